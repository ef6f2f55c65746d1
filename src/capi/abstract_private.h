/* What the files of the abstract protocols share. */
#ifndef TAIPAN_CAPI_ABSTRACT_PRIVATE_H
#define TAIPAN_CAPI_ABSTRACT_PRIVATE_H

#include "runtime/state.h"

/* TypeError with one %.200s, filled with the name of o's type. Returns NULL. */
COLD PyObject *abstract_type_error(const char *format, PyObject *o);
/* SystemError for a NULL argument, unless an exception is set. Returns NULL. */
COLD PyObject *abstract_null_error(void);
/* New reference to the method that o's type has, bound to o; NULL without exception when there is none. */
PyObject *abstract_lookup_special(PyObject *o, PyObject *name);
/* An int or instance of a subclass: v itself, or what __index__ returned. New reference. */
PyObject *abstract_index(PyObject *v);
/* + or += and * or *= by the number slots alone; NotImplemented when they do not know. New reference. */
PyObject *abstract_add(PyObject *v, PyObject *w, bool inplace);
PyObject *abstract_multiply(PyObject *v, PyObject *w, bool inplace);

#endif
