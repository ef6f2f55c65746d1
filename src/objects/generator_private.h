/* What generators, coroutines and async generators share. */
#ifndef TAIPAN_OBJECTS_GENERATOR_PRIVATE_H
#define TAIPAN_OBJECTS_GENERATOR_PRIVATE_H

#include "eval/eval_private.h"

PySendResult generator_am_send(PyObject *self, PyObject *arg, PyObject **result);
/* The next value; StopIteration (StopAsyncIteration) with the result at the end. */
PyObject *generator_send_value(PyGenObject *gen, PyObject *arg, bool throw, bool closing);
PyObject *generator_close(PyGenObject *gen);
PyObject *generator_throw_with(PyGenObject *gen, bool close_on_exit, PyObject *type, PyObject *value, PyObject *tb);
PyObject *generator_throw_args(PyGenObject *gen, PyObject *const *args, Py_ssize_t nargs);

void generator_finalize(PyObject *self);
void generator_dealloc_base(PyObject *self);
int generator_traverse(PyObject *self, visitproc visit, void *arg);
PyObject *generator_repr(PyObject *self);
PyObject *generator_get_name(PyObject *self, void *c);
PyObject *generator_get_qualname(PyObject *self, void *c);
int generator_set_name(PyObject *self, PyObject *v, void *c);
int generator_set_qualname(PyObject *self, PyObject *v, void *c);
PyObject *generator_get_yieldfrom(PyObject *self, void *c);
PyObject *generator_get_running(PyObject *self, void *c);
PyObject *generator_get_suspended(PyObject *self, void *c);
PyObject *generator_get_frame(PyObject *self, const char *name);
PyObject *generator_get_code(PyObject *self, const char *name);
PyObject *generator_sizeof(PyObject *self, PyObject *ignored);

/* NEW tuple of (file, line, function), from frame outwards. */
PyObject *coroutine_origin(int depth, Frame *frame);

#endif
