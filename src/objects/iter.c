/* The plain iterators: over anything with __getitem__, and iter(callable, sentinel). */
#include "objects/containers_private.h"

/* ---- over a sequence -------------------------------------------------------------------------------------------------------- */

typedef struct SequenceIterator {
    PyObject_HEAD
    Py_ssize_t index;
    PyObject *sequence;                       /* NULL when exhausted */
} SequenceIterator;

#define SEQITER(o) ((SequenceIterator *)(o))

PyObject *PySeqIter_New(PyObject *sequence)
{
    if (!PySequence_Check(sequence)) {
        PyErr_BadInternalCall();
        return NULL;
    }
    SequenceIterator *it = PyObject_GC_New(SequenceIterator, &PySeqIter_Type);
    if (!it) return NULL;
    it->index = 0;
    it->sequence = Py_NewRef(sequence);
    PyObject_GC_Track(it);
    return OBJECT(it);
}

static void seqiter_dealloc(PyObject *o)
{
    PyObject_GC_UnTrack(o);
    Py_XDECREF(SEQITER(o)->sequence);
    PyObject_GC_Del(o);
}

static int seqiter_traverse(PyObject *o, visitproc visit, void *arg)
{
    Py_VISIT(SEQITER(o)->sequence);
    return 0;
}

static PyObject *seqiter_next(PyObject *o)
{
    SequenceIterator *it = SEQITER(o);
    PyObject *sequence = it->sequence;
    if (!sequence) return NULL;
    if (it->index == PY_SSIZE_T_MAX) {
        PyErr_SetString(PyExc_OverflowError, "iter index too large");
        return NULL;
    }
    Py_INCREF(sequence);                                   /* its __getitem__ may come here, and end the iteration */
    PyObject *item = PySequence_GetItem(sequence, it->index);
    Py_DECREF(sequence);
    if (item) {
        it->index++;
        return item;
    }
    if (PyErr_ExceptionMatches(PyExc_IndexError) || PyErr_ExceptionMatches(PyExc_StopIteration)) {
        PyErr_Clear();
        if (it->sequence) {                                /* the call above may have exhausted the iterator itself */
            it->sequence = NULL;
            Py_DECREF(sequence);
        }
    }
    return NULL;
}

BUILTIN_NOARGS(seqiter, __length_hint__, "($self, /)", "Private method returning an estimate of len(list(it)).")
{
    SequenceIterator *it = SEQITER(self);
    if (it->sequence) {
        PySequenceMethods *sequence = Py_TYPE(it->sequence)->tp_as_sequence;
        PyMappingMethods *mapping = Py_TYPE(it->sequence)->tp_as_mapping;
        if (!(sequence && sequence->sq_length) && !(mapping && mapping->mp_length)) Py_RETURN_NOTIMPLEMENTED;
        Py_ssize_t n = PyObject_Size(it->sequence);
        if (n < 0) return NULL;
        if (n > it->index) return PyLong_FromSsize_t(n - it->index);
    }
    return PyLong_FromLong(0);
}

BUILTIN_NOARGS(seqiter, __reduce__, "($self, /)", "Return state information for pickling.")
{
    PyObject *iter = builtin_get("iter");                  /* may run code that exhausts the iterator: first */
    if (!iter) return NULL;
    if (SEQITER(self)->sequence) return Py_BuildValue("N(O)n", iter, SEQITER(self)->sequence, SEQITER(self)->index);
    return Py_BuildValue("N(())", iter);
}

BUILTIN_O(seqiter, __setstate__, "($self, object, /)", "Set state information for unpickling.")
{
    Py_ssize_t index = PyLong_AsSsize_t(arg);
    if (index == -1 && PyErr_Occurred()) return NULL;
    if (SEQITER(self)->sequence) SEQITER(self)->index = index < 0 ? 0 : index;
    Py_RETURN_NONE;
}

static PyMethodDef seqiter_methods[] = {
    METHOD(seqiter, __length_hint__), METHOD(seqiter, __reduce__), METHOD(seqiter, __setstate__), { 0 },
};

PyTypeObject PySeqIter_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "iterator",
    .tp_basicsize = sizeof(SequenceIterator),
    .tp_dealloc = seqiter_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = seqiter_traverse,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = seqiter_next,
    .tp_methods = seqiter_methods,
};

/* ---- iter(callable, sentinel) ------------------------------------------------------------------------------------------------- */

typedef struct CallIterator {
    PyObject_HEAD
    PyObject *callable, *sentinel;            /* NULL both when exhausted */
} CallIterator;

#define CALLITER(o) ((CallIterator *)(o))

PyObject *PyCallIter_New(PyObject *callable, PyObject *sentinel)
{
    CallIterator *it = PyObject_GC_New(CallIterator, &PyCallIter_Type);
    if (!it) return NULL;
    it->callable = Py_NewRef(callable);
    it->sentinel = Py_NewRef(sentinel);
    PyObject_GC_Track(it);
    return OBJECT(it);
}

static void calliter_dealloc(PyObject *o)
{
    PyObject_GC_UnTrack(o);
    Py_XDECREF(CALLITER(o)->callable);
    Py_XDECREF(CALLITER(o)->sentinel);
    PyObject_GC_Del(o);
}

static int calliter_traverse(PyObject *o, visitproc visit, void *arg)
{
    Py_VISIT(CALLITER(o)->callable);
    Py_VISIT(CALLITER(o)->sentinel);
    return 0;
}

static void calliter_end(CallIterator *it)
{
    Py_CLEAR(it->callable);
    Py_CLEAR(it->sentinel);
}

static PyObject *calliter_next(PyObject *o)
{
    CallIterator *it = CALLITER(o);
    if (!it->callable) return NULL;
    PyObject *callable = Py_NewRef(it->callable), *result = PyObject_CallNoArgs(callable);
    Py_DECREF(callable);
    if (result && it->sentinel) {                          /* the call may have exhausted the iterator itself */
        PyObject *sentinel = Py_NewRef(it->sentinel);
        int same = PyObject_RichCompareBool(sentinel, result, Py_EQ);
        Py_DECREF(sentinel);
        if (same == 0) return result;
        if (same > 0) calliter_end(it);
    }
    else if (PyErr_ExceptionMatches(PyExc_StopIteration)) {
        PyErr_Clear();
        calliter_end(it);
    }
    Py_XDECREF(result);
    return NULL;
}

BUILTIN_NOARGS(calliter, __reduce__, "($self, /)", "Return state information for pickling.")
{
    PyObject *iter = builtin_get("iter");
    if (!iter) return NULL;
    if (CALLITER(self)->callable) return Py_BuildValue("N(OO)", iter, CALLITER(self)->callable, CALLITER(self)->sentinel);
    return Py_BuildValue("N(())", iter);
}

static PyMethodDef calliter_methods[] = { METHOD(calliter, __reduce__), { 0 } };

PyTypeObject PyCallIter_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "callable_iterator",
    .tp_basicsize = sizeof(CallIterator),
    .tp_dealloc = calliter_dealloc,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = calliter_traverse,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = calliter_next,
    .tp_methods = calliter_methods,
};
