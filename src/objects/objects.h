/* What objects/ keeps in the Interpreter, and what the rest of Taipan may call beyond Python.h. */
#ifndef TAIPAN_OBJECTS_OBJECTS_H
#define TAIPAN_OBJECTS_OBJECTS_H

#include "taipan.h"

typedef struct ObjectState {
    PyObject *interned;                     /* dict of interned strings that are not static: str */
} ObjectState;

#endif
