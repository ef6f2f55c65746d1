/* Methods of str that stand in other files than its method table. */
#ifndef TAIPAN_OBJECTS_STR_PRIVATE_H
#define TAIPAN_OBJECTS_STR_PRIVATE_H

#include "taipan.h"

enum {
    str_lower_flags = METH_NOARGS, str_upper_flags = METH_NOARGS, str_title_flags = METH_NOARGS, str_capitalize_flags = METH_NOARGS,
    str_swapcase_flags = METH_NOARGS, str_casefold_flags = METH_NOARGS, str_translate_flags = METH_O, str_maketrans_flags = METH_FASTCALL,
};
extern const char str_lower_doc[], str_upper_doc[], str_title_doc[], str_capitalize_doc[], str_swapcase_doc[], str_casefold_doc[],
    str_translate_doc[], str_maketrans_doc[];

PyObject *str_lower(PyObject *self, PyObject *ignored);
PyObject *str_upper(PyObject *self, PyObject *ignored);
PyObject *str_title(PyObject *self, PyObject *ignored);
PyObject *str_capitalize(PyObject *self, PyObject *ignored);
PyObject *str_swapcase(PyObject *self, PyObject *ignored);
PyObject *str_casefold(PyObject *self, PyObject *ignored);
PyObject *str_translate(PyObject *self, PyObject *table);
PyObject *str_maketrans(PyObject *ignored, PyObject *const *args, Py_ssize_t nargs);

PyObject *str_copy_exact(PyObject *s);

#endif
