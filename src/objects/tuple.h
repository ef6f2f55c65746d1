/* tuple: what the rest of Taipan may use beyond PyTuple_*. */
#ifndef TAIPAN_OBJECTS_TUPLE_H
#define TAIPAN_OBJECTS_TUPLE_H

#include "memory/alloc.h"


static inline size_t tuple_bytes(Py_ssize_t n) { return offsetof(PyTupleObject, ob_item) + (size_t)n * sizeof(PyObject *); }

/* An exact tuple, n > 0, untracked, items uninitialised: fill them and call gc_track. NULL with MemoryError. */
static ALWAYS_INLINE PyTupleObject *tuple_alloc(Thread *t, Py_ssize_t n)
{
    PyTupleObject *tuple = (PyTupleObject *)gc_alloc(t, &PyTuple_Type, tuple_bytes(n), 0);
    if (LIKELY(tuple)) Py_SET_SIZE(tuple, n);
    return tuple;
}
/* Items borrowed, or stolen (also on failure). */
PyObject *tuple_from_array(PyObject *const *items, Py_ssize_t n);
PyObject *tuple_from_array_steal(PyObject *const *items, Py_ssize_t n);

#endif
