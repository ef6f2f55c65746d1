/* What PEP 695 syntax makes: the types are those of the _typing module. Evaluators are functions without arguments. */
#ifndef TAIPAN_OBJECTS_TYPING_H
#define TAIPAN_OBJECTS_TYPING_H

#include "taipan.h"

PyObject *typing_make_typevar(PyObject *name, PyObject *evaluate_bound, PyObject *evaluate_constraints);
PyObject *typing_make_paramspec(PyObject *name);
PyObject *typing_make_typevartuple(PyObject *name);
PyObject *typing_make_typealias(PyObject *parts);               /* (name, type parameters, evaluator) */
PyObject *typing_subscript_generic(PyObject *params);           /* Generic[params] */
PyObject *typing_set_default(PyObject *param, PyObject *evaluate_default);   /* NEW reference to param */

#endif
