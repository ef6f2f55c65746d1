/* float: inline paths for the evaluation loop. A float is 24 bytes: count, type, value. */
#ifndef TAIPAN_OBJECTS_FLOAT_H
#define TAIPAN_OBJECTS_FLOAT_H

#include "memory/alloc.h"

#define FLOAT_VALUE(o) (((PyFloatObject *)(o))->ob_fval)

/* New reference, or NULL with MemoryError. */
static ALWAYS_INLINE PyObject *float_new(Thread *t, double value)
{
    PyFloatObject *f = heap_alloc(t->heap, PAGE_PLAIN, sizeof(PyFloatObject));
    if (UNLIKELY(!f)) return PyErr_NoMemory();
    f->ob_base.ob_refcnt = 1;
    f->ob_base.ob_type = &PyFloat_Type;
    f->ob_fval = value;
    return OBJECT(f);
}

/* tp_dealloc of an exact float whose count reached zero. */
static ALWAYS_INLINE void float_dealloc_exact(PyObject *f) { heap_free(f); }

#endif
