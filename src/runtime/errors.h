/* Raising from inside Taipan, where PyErr_* cannot say it. */
#ifndef TAIPAN_RUNTIME_ERRORS_H
#define TAIPAN_RUNTIME_ERRORS_H

#include "taipan.h"

typedef struct _is Interpreter;

/* KeyError(key), whatever key is: PyErr_SetObject would spread a tuple over the arguments. */
void errors_set_key_error(PyObject *key);
/* StopIteration(value), whatever value is. */
void errors_set_stop_iteration(PyObject *value);
/* An exception class called with value as PyErr_SetObject means it. New reference, or NULL. */
PyObject *errors_create(PyObject *type, PyObject *value);
/* Prefixes the message of the current exception's context: raises a new one with __cause__ set to the current. */
PyObject *errors_format_from_cause(PyObject *type, const char *format, ...);

/* The subclass of OSError for an errno, or NULL. */
PyTypeObject *oserror_type_for(int number);
/* sys.unraisablehook as it is at first, and the type of its argument (borrowed). */
PyObject *errors_unraisable_hook(PyObject *module, PyObject *args);

/* Makes the exception types ready. 0 or -1. Types first, then names in builtins. */
int exceptions_init(Interpreter *interp);
int exceptions_add_to_builtins(PyObject *builtins_dict);
/* What an interpreter keeps: the MemoryError that is raised when not even one can be made. */
typedef struct ErrorState {
    PyObject *last_memory_error;              /* preallocated instance */
    PyObject *exception_group;                /* the class ExceptionGroup */
    PyTypeObject *unraisable_args;            /* sys.UnraisableHookArgs */
} ErrorState;

#endif
