/* Asynchronous generators: what builtins need of them. */
#ifndef TAIPAN_OBJECTS_ASYNCGEN_H
#define TAIPAN_OBJECTS_ASYNCGEN_H

#include "taipan.h"

extern PyTypeObject asyncgen_anext_awaitable_type;
PyObject *anext_awaitable_new(PyObject *awaitable, PyObject *fallback);

#endif
