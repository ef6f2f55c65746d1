/* Shared by the files of the builtins module: the functions by theme. */
#ifndef TAIPAN_MODULES_BUILTINS_PRIVATE_H
#define TAIPAN_MODULES_BUILTINS_PRIVATE_H

#include "capi/args.h"
#include "runtime/state.h"

/* An awaitable that gives `otherwise` when awaitable ends with StopAsyncIteration (objects/asyncgen*.c). NEW. */
PyObject *anext_awaitable_new(PyObject *awaitable, PyObject *otherwise);

/* As args_reject_keywords, names STOLEN. Returns NULL. */
PyObject *builtins_reject_keywords(const char *function, PyObject *names, PyObject *keywords);

extern PyMethodDef builtins_code_methods[], builtins_stream_methods[], builtins_iteration_methods[], builtins_object_methods[];

#endif
