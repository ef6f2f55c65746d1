/* The exception types, for exceptions*.c only. */
#ifndef TAIPAN_OBJECTS_EXCEPTIONS_PRIVATE_H
#define TAIPAN_OBJECTS_EXCEPTIONS_PRIVATE_H

#include "objects/containers_private.h"
#include "objects/tuple.h"
#include "runtime/errors.h"

#include <structmember.h>

#define EXCEPTION_FLAGS (Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASE_EXC_SUBCLASS)

/* Slots of BaseException that the others use. */
PyObject *exception_new(PyTypeObject *type, PyObject *args, PyObject *kwargs);
PyObject *exception_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf, PyObject *kwnames);
int exception_init(PyObject *self, PyObject *args, PyObject *kwargs);
int exception_traverse(PyObject *self, visitproc visit, void *arg);
int exception_clear(PyObject *self);
void exception_dealloc(PyObject *self);
PyObject *exception_str(PyObject *self);
/* -1 with "ValueError() takes no keyword arguments". */
int exception_no_keywords(PyTypeObject *type, PyObject *kwargs);

extern PyTypeObject exc_BaseException, exc_Exception, exc_BaseExceptionGroup, exc_OSError, exc_ValueError, exc_UnicodeError,
    exc_LookupError, exc_KeyError, exc_MemoryError, exc_StopIteration, exc_SystemExit, exc_ImportError, exc_ModuleNotFoundError,
    exc_NameError, exc_UnboundLocalError, exc_AttributeError, exc_SyntaxError, exc_IndentationError, exc_TabError,
    exc__IncompleteInputError, exc_UnicodeEncodeError, exc_UnicodeDecodeError, exc_UnicodeTranslateError;

#define BASE(self) ((PyBaseExceptionObject *)(self))

/* A type with the fields of its base. */
#define SIMPLE_EXCEPTION(name, base, text)                                                                            \
    PyTypeObject exc_##name = {                                                                                       \
        PyVarObject_HEAD_INIT(&PyType_Type, 0)                                                                        \
        .tp_name = #name, .tp_basicsize = sizeof(PyBaseExceptionObject), .tp_dealloc = exception_dealloc,             \
        .tp_flags = EXCEPTION_FLAGS, .tp_doc = text, .tp_traverse = exception_traverse, .tp_clear = exception_clear,  \
        .tp_base = &base, .tp_dictoffset = offsetof(PyBaseExceptionObject, dict), .tp_init = exception_init,          \
        .tp_new = exception_new, .tp_vectorcall = exception_vectorcall,                                               \
    };                                                                                                                \
    PyObject *PyExc_##name = (PyObject *)&exc_##name;

/* A type whose struct, initialisation and more differ; the rest of the initialiser is in the variable part. */
#define SPECIAL_EXCEPTION(name, base, Struct, text, ...)                                                              \
    PyTypeObject exc_##name = {                                                                                       \
        PyVarObject_HEAD_INIT(&PyType_Type, 0)                                                                        \
        .tp_name = #name, .tp_basicsize = sizeof(Struct), .tp_flags = EXCEPTION_FLAGS, .tp_doc = text,                \
        .tp_base = &base, .tp_dictoffset = offsetof(PyBaseExceptionObject, dict), __VA_ARGS__                         \
    };                                                                                                                \
    PyObject *PyExc_##name = (PyObject *)&exc_##name;

#endif
