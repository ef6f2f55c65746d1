/* types.SimpleNamespace. */
#ifndef TAIPAN_OBJECTS_NAMESPACE_H
#define TAIPAN_OBJECTS_NAMESPACE_H

#include "taipan.h"

PyAPI_DATA(PyTypeObject) _PyNamespace_Type;
/* A new namespace with the items of a dict (or NULL). */
PyAPI_FUNC(PyObject *) _PyNamespace_New(PyObject *dict);

#endif
