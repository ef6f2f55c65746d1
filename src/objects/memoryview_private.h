/* Shared by memoryview*.c. */
#ifndef TAIPAN_OBJECTS_MEMORYVIEW_PRIVATE_H
#define TAIPAN_OBJECTS_MEMORYVIEW_PRIVATE_H

#include "objects/memoryview.h"

#define VIEW(o) ((PyMemoryViewObject *)(o))

bool memoryview_is_released(const PyMemoryViewObject *v);
/* ValueError for a released one: -1. */
int memoryview_check(const PyMemoryViewObject *v);
/* The same for one that a __release_buffer__ method was given: it must not multiply. */
int memoryview_check_unrestricted(const PyMemoryViewObject *v);
/* A new view of the same managed buffer; of the whole of it when like is NULL. */
PyObject *memoryview_another(_PyManagedBufferObject *buffer, const Py_buffer *like);
/* With room for ndim dimensions whose shape is still to be filled in. */
PyMemoryViewObject *memoryview_incomplete(_PyManagedBufferObject *buffer, const Py_buffer *like, int ndim);
void memoryview_init_flags(PyMemoryViewObject *v);

/* memoryview_cast.c */
PyObject *memoryview_cast_to(PyMemoryViewObject *v, PyObject *format, PyObject *shape);
/* memoryview_items.c and memoryview_index.c */
PyObject *memoryview_subscript(PyObject *self, PyObject *key);
int memoryview_assign(PyObject *self, PyObject *key, PyObject *value);
PyObject *memoryview_item(PyObject *self, Py_ssize_t index);
PyObject *memoryview_to_list(PyMemoryViewObject *v);
PyObject *memoryview_richcompare(PyObject *a, PyObject *b, int op);
char *memoryview_pointer(const Py_buffer *view, char *p, int dimension, Py_ssize_t index);

#endif
