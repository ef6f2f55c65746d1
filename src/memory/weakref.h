/* Shared by the files of weak references: weakref.c, weakproxy.c, and the _weakref module. */
#ifndef TAIPAN_MEMORY_WEAKREF_H
#define TAIPAN_MEMORY_WEAKREF_H

#include "runtime/state.h"

void weakref_dealloc(PyObject *self);
int weakref_traverse(PyObject *self, visitproc visit, void *arg);
int weakref_clear(PyObject *self);
PyObject *weakref_vectorcall(PyObject *self, PyObject *const *args, size_t nargsf, PyObject *kwnames);
Py_ssize_t weakref_count(PyObject *o);

#endif
