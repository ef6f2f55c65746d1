/* What the code*.c files share. */
#ifndef TAIPAN_OBJECTS_CODE_PRIVATE_H
#define TAIPAN_OBJECTS_CODE_PRIVATE_H

#include "taipan.h"
#include "eval/eval.h"

/* Initial counter of an inline cache: upper 12 bits count down, lower 4 say how far to back off after a failure. */
enum { CODE_COUNTER_WARMUP = 1 << 4 | 1, CODE_COUNTER_BACKWARD = 16 << 4 | 4 };

void code_notify(PyCodeEvent event, PyCodeObject *co);
PyObject *code_lnotab(PyCodeObject *co);
PyObject *code_line_iterator(PyCodeObject *co);
PyObject *code_position_iterator(PyCodeObject *co);
PyObject *code_replace_with(PyCodeObject *co, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames);
PyObject *code_type_new(PyTypeObject *type, PyObject *args, PyObject *kwargs);

#endif
