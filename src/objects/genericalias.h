/* Subscripted types: what genericalias.c, union.c and typevar*.c share. */
#ifndef TAIPAN_OBJECTS_GENERICALIAS_H
#define TAIPAN_OBJECTS_GENERICALIAS_H

#include "objects/type.h"
#include "objects/typing.h"

/* NEW tuple of the type parameters that occur in args (a tuple), each once, in order. */
PyObject *typing_make_parameters(PyObject *args);
/* NEW tuple: args with parameters replaced by what item (self[item]) says. */
PyObject *typing_substitute(PyObject *self, PyObject *args, PyObject *parameters, PyObject *item);
/* NEW str: a type as it stands in the repr of a subscripted one. */
PyObject *typing_type_repr(PyObject *o);

/* typing.<name>: NEW; and called with these arguments (NULL-terminated PyObject *). */
PyObject *typing_attribute(const char *name);
PyObject *typing_call(const char *name, ...);

extern PyTypeObject typealias_type, nodefault_type;
extern PyObject nodefault_object;
#define NO_DEFAULT (&nodefault_object)

/* The classes that live in the interpreter: BORROWED, made on first use; NULL with an exception. */
enum { TYPING_TYPEVAR, TYPING_PARAMSPEC, TYPING_TYPEVARTUPLE, TYPING_PARAMSPEC_ARGS, TYPING_PARAMSPEC_KWARGS, TYPING_GENERIC,
       TYPING_CLASSES };
PyTypeObject *typing_class(int which);
bool typing_is(PyObject *o, int which);                     /* exact type; never makes the class */

extern PyType_Spec typevar_spec, paramspec_spec, typevartuple_spec, paramspec_args_spec, paramspec_kwargs_spec, generic_spec;

#endif
