/* What objects/ keeps in the Interpreter, and what the rest of Taipan may call beyond Python.h. */
#ifndef TAIPAN_OBJECTS_OBJECTS_H
#define TAIPAN_OBJECTS_OBJECTS_H

#include "taipan.h"
#include "objects/dict.h"
#include "objects/number_state.h"
#include "objects/type_state.h"
#include "objects/unicode.h"
#include "runtime/errors.h"

typedef struct ObjectState {
    DictState dicts;
    UnicodeState unicode;                   /* str, codecs */
    TypeState types;
    NumberState numbers;
    ErrorState errors;
} ObjectState;

/* tp_new of every struct sequence type (structseq.c). */
PyObject *structseq_new(PyTypeObject *type, PyObject *args, PyObject *kwargs);

#endif
