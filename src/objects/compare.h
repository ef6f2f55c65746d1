/* Equality and hashes of the simple built-in objects without a call: most keys and items are ints and strs. */
#ifndef TAIPAN_OBJECTS_COMPARE_H
#define TAIPAN_OBJECTS_COMPARE_H

#include "taipan.h"

#include <string.h>

/* Two exact strs, the same or not. */
static inline bool str_same_text(PyObject *a, PyObject *b)
{
    Py_ssize_t n = PyUnicode_GET_LENGTH(a);
    return n == PyUnicode_GET_LENGTH(b) && PyUnicode_KIND(a) == PyUnicode_KIND(b) &&
           memcmp(PyUnicode_DATA(a), PyUnicode_DATA(b), (size_t)n * PyUnicode_KIND(a)) == 0;
}

/* a == b of two objects that are not the same one: 1, 0, or -1 when that takes a call. Runs no other code. */
static ALWAYS_INLINE int simple_equal(PyObject *a, PyObject *b)
{
    PyTypeObject *type = Py_TYPE(a);
    if (type != Py_TYPE(b)) return -1;
    if (type == &PyLong_Type) {
        const PyLongObject *x = (PyLongObject *)a, *y = (PyLongObject *)b;
        if (LIKELY(_PyLong_IsCompact(x) && _PyLong_IsCompact(y))) return _PyLong_CompactValue(x) == _PyLong_CompactValue(y);
        return -1;
    }
    if (type == &PyUnicode_Type) return str_same_text(a, b);
    return -1;
}

/* The same for keys of dicts and sets, where tuples of such objects are common. */
static inline int simple_key_equal(PyObject *a, PyObject *b)
{
    if (!Py_IS_TYPE(a, &PyTuple_Type) || !Py_IS_TYPE(b, &PyTuple_Type)) return simple_equal(a, b);
    Py_ssize_t n = PyTuple_GET_SIZE(a);
    if (n != PyTuple_GET_SIZE(b)) return -1;
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *x = PyTuple_GET_ITEM(a, i), *y = PyTuple_GET_ITEM(b, i);
        if (x == y) continue;
        int same = simple_equal(x, y);
        if (same != 1) return same;
    }
    return 1;
}

/* Are objects of this type compared without running other code, and never with NotImplemented among themselves? */
static inline bool type_compares_simply(PyTypeObject *type)
{
    return type == &PyLong_Type || type == &PyUnicode_Type || type == &PyFloat_Type || type == &PyBytes_Type;
}

/* PyObject_Hash. */
static ALWAYS_INLINE Py_hash_t quick_hash(PyObject *o)
{
    if (Py_IS_TYPE(o, &PyUnicode_Type)) {
        Py_hash_t hash = ((PyASCIIObject *)o)->hash;
        if (LIKELY(hash != -1)) return hash;
    }
    else if (Py_IS_TYPE(o, &PyLong_Type) && _PyLong_IsCompact((PyLongObject *)o)) {
        Py_ssize_t value = _PyLong_CompactValue((PyLongObject *)o);
        return value == -1 ? -2 : value;
    }
    return PyObject_Hash(o);
}

#endif
