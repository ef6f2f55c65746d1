/* What _interpqueues and _interpchannels have in common. */
#ifndef TAIPAN_MODULES_INTERPSHARED_H
#define TAIPAN_MODULES_INTERPSHARED_H

#include "taipan.h"

/* What becomes of an item when the interpreter that sent it ends. */
enum { UNBOUND_REMOVE = 1, UNBOUND_ERROR = 2, UNBOUND_REPLACE = 3 };

static inline int interpshared_check_op(int op)
{
    if (op >= UNBOUND_REMOVE && op <= UNBOUND_REPLACE) return 0;
    PyErr_Format(PyExc_ValueError, "unsupported unboundop %d", op);
    return -1;
}

/* Imports the module, or else the copy of it that CPython's tests bring along. 0 or -1. */
static inline int interpshared_import(const char *name, const char *otherwise)
{
    PyObject *module = PyImport_ImportModule(name);
    if (!module) {
        PyErr_Clear();
        module = PyImport_ImportModule(otherwise);
    }
    Py_XDECREF(module);
    return module ? 0 : -1;
}

#endif
