/* What the container types share: lazy tracking, comparison with a guard, iterating helpers. Only for the containers' files. */
#ifndef TAIPAN_OBJECTS_CONTAINERS_PRIVATE_H
#define TAIPAN_OBJECTS_CONTAINERS_PRIVATE_H

#include "capi/args.h"
#include "memory/alloc.h"
#include "objects/compare.h"

/* May o be part of a reference cycle that the collector has to look at? (Tuples are untracked once they hold nothing such.) */
static inline bool gc_may_be_tracked(PyObject *o)
{
    PyTypeObject *type = Py_TYPE(o);
    if (!(type->tp_flags & Py_TPFLAGS_HAVE_GC)) return false;
    if (type->tp_is_gc && !type->tp_is_gc(o)) return false;
    if (type == &PyTuple_Type) return !_Py_IsImmortal(o) && gc_is_tracked(o);
    return true;
}

/* a == b where either may be changed or dropped by the comparison's code: both are held meanwhile. 1, 0, -1. */
static inline int object_equal(PyObject *a, PyObject *b)
{
    if (a == b) return 1;
    int simple = simple_equal(a, b);
    if (LIKELY(simple >= 0)) return simple;
    Py_INCREF(a);
    Py_INCREF(b);
    int result = PyObject_RichCompareBool(a, b, Py_EQ);
    Py_DECREF(b);
    Py_DECREF(a);
    return result;
}

/* Fills to[0 .. n * times) with the n items, each reference taken. n * times > 0. */
static inline void items_repeat(PyObject **to, PyObject *const *items, Py_ssize_t n, Py_ssize_t times)
{
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *o = to[i] = items[i];
        if (_Py_IsImmortal(o)) continue;
        if (times < 1 << 24 && Py_REFCNT(o) < 1 << 30) o->ob_refcnt += times;
        else for (Py_ssize_t k = 0; k < times; k++) Py_INCREF(o);
    }
    if (n == 1) {
        PyObject *o = items[0];
        for (Py_ssize_t i = 1; i < times; i++) to[i] = o;
        return;
    }
    for (Py_ssize_t filled = n, all = n * times; filled < all;) {
        Py_ssize_t more = filled < all - filled ? filled : all - filled;
        memcpy(to + filled, to, (size_t)more * sizeof *to);
        filled += more;
    }
}

/* Makes sure that a pair given out again is tracked if what it holds now asks for it. */
static inline void pair_track(Thread *t, PyObject *pair, PyObject *a, PyObject *b)
{
    if ((gc_may_be_tracked(a) || gc_may_be_tracked(b)) && !gc_is_tracked(pair)) gc_track(t, pair);
}

/* Replaces a field before releasing what it held. */
#define SET_FIELD(place, value) do { PyObject *old_ = OBJECT(place); (place) = (value); Py_XDECREF(old_); } while (0)

/* After tp_iternext returned NULL: 0 when the iterator is exhausted (a StopIteration is cleared), -1 with an exception. */
static inline int iteration_ended(void)
{
    if (LIKELY(!PyErr_Occurred())) return 0;
    if (!PyErr_ExceptionMatches(PyExc_StopIteration)) return -1;
    PyErr_Clear();
    return 0;
}

/* Keyword arguments a type refuses when called itself (subclasses with an __init__ of their own may take them). */
static inline int refuse_keywords(const char *name, PyObject *kwargs)
{
    if (LIKELY(!kwargs || PyDict_GET_SIZE(kwargs) == 0)) return 0;
    PyErr_Format(PyExc_TypeError, "%.200s() takes no keyword arguments", name);
    return -1;
}

/* getattr(builtins, name): what __reduce__ of iterators names. New reference. */
static inline PyObject *builtin_get(const char *name)
{
    PyObject *builtins = PyEval_GetBuiltins();        /* borrowed */
    if (!builtins) return NULL;
    PyObject *key = PyUnicode_InternFromString(name);
    if (!key) return NULL;
    PyObject *value = PyObject_GetItem(builtins, key);
    if (!value && PyErr_ExceptionMatches(PyExc_KeyError)) PyErr_SetObject(PyExc_AttributeError, key);
    Py_DECREF(key);
    return value;
}

/* (iter, ([what rest yields],)): how an iterator is pickled whose place has no number. Both STOLEN; rest NULL is an error. */
static inline PyObject *reduced_to_list(PyObject *iter, PyObject *rest)
{
    PyObject *list = rest ? PySequence_List(rest) : NULL;
    Py_XDECREF(rest);
    if (list) return Py_BuildValue("N(N)", iter, list);
    Py_DECREF(iter);
    return NULL;
}

#define CLASS_GETITEM { "__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, \
                        "__class_getitem__($type, object, /)\n--\n\nSee PEP 585" }

#endif
