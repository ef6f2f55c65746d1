/* tuple: exactly sized, immutable.
 *
 * A tuple is tracked by the collector from the moment it is complete; the collector untracks those that hold nothing that could
 * be in a cycle. The empty tuple is one static immortal object. */
#include "objects/tuple.h"

#include "objects/containers_private.h"

/* ---- creation -------------------------------------------------------------------------------------------------------- */

static ALWAYS_INLINE PyTupleObject *tuple_alloc_checked(Thread *t, Py_ssize_t n)
{
    if (UNLIKELY((size_t)n > ((size_t)PY_SSIZE_T_MAX - sizeof(PyTupleObject)) / sizeof(PyObject *))) {
        PyErr_NoMemory();
        return NULL;
    }
    return tuple_alloc(t, n);
}

PyObject *PyTuple_New(Py_ssize_t size)
{
    if (UNLIKELY(size <= 0)) {
        if (size == 0) return EMPTY_TUPLE;
        PyErr_BadInternalCall();
        return NULL;
    }
    Thread *t = thread_get();
    PyTupleObject *tuple = tuple_alloc_checked(t, size);
    if (!tuple) return NULL;
    SHORT_LOOP for (Py_ssize_t i = 0; i < size; i++) tuple->ob_item[i] = NULL;
    gc_track(t, OBJECT(tuple));
    return OBJECT(tuple);
}

PyObject *tuple_from_array(PyObject *const *items, Py_ssize_t n)
{
    if (n == 0) return EMPTY_TUPLE;
    Thread *t = thread_get();
    PyTupleObject *tuple = tuple_alloc_checked(t, n);
    if (UNLIKELY(!tuple)) return NULL;
    SHORT_LOOP for (Py_ssize_t i = 0; i < n; i++) tuple->ob_item[i] = Py_NewRef(items[i]);
    gc_track(t, OBJECT(tuple));
    return OBJECT(tuple);
}

PyObject *tuple_from_array_steal(PyObject *const *items, Py_ssize_t n)
{
    if (n == 0) return EMPTY_TUPLE;
    Thread *t = thread_get();
    PyTupleObject *tuple = tuple_alloc_checked(t, n);
    if (UNLIKELY(!tuple)) {
        for (Py_ssize_t i = 0; i < n; i++) Py_DECREF(items[i]);
        return NULL;
    }
    SHORT_LOOP for (Py_ssize_t i = 0; i < n; i++) tuple->ob_item[i] = items[i];
    gc_track(t, OBJECT(tuple));
    return OBJECT(tuple);
}

PyObject *PyTuple_Pack(Py_ssize_t n, ...)
{
    PyObject *tuple = PyTuple_New(n);
    if (!tuple) return NULL;
    va_list items;
    va_start(items, n);
    for (Py_ssize_t i = 0; i < n; i++) PyTuple_SET_ITEM(tuple, i, Py_NewRef(va_arg(items, PyObject *)));
    va_end(items);
    return tuple;
}

/* ---- access ------------------------------------------------------------------------------------------------------------ */

Py_ssize_t PyTuple_Size(PyObject *o)
{
    if (PyTuple_Check(o)) return Py_SIZE(o);
    PyErr_BadInternalCall();
    return -1;
}

PyObject *PyTuple_GetItem(PyObject *o, Py_ssize_t i)
{
    if (!PyTuple_Check(o)) {
        PyErr_BadInternalCall();
        return NULL;
    }
    if ((size_t)i >= (size_t)Py_SIZE(o)) {
        PyErr_SetString(PyExc_IndexError, "tuple index out of range");
        return NULL;
    }
    return ((PyTupleObject *)o)->ob_item[i];
}

int PyTuple_SetItem(PyObject *o, Py_ssize_t i, PyObject *item)
{
    if (!PyTuple_Check(o) || Py_REFCNT(o) != 1) {
        Py_XDECREF(item);
        PyErr_BadInternalCall();
        return -1;
    }
    if ((size_t)i >= (size_t)Py_SIZE(o)) {
        Py_XDECREF(item);
        PyErr_SetString(PyExc_IndexError, "tuple assignment index out of range");
        return -1;
    }
    SET_FIELD(((PyTupleObject *)o)->ob_item[i], item);
    return 0;
}

static PyObject *tuple_slice(PyObject *o, Py_ssize_t low, Py_ssize_t high)
{
    if (low < 0) low = 0;
    if (high > Py_SIZE(o)) high = Py_SIZE(o);
    if (high < low) high = low;
    if (low == 0 && high == Py_SIZE(o) && PyTuple_CheckExact(o)) return Py_NewRef(o);
    return tuple_from_array(((PyTupleObject *)o)->ob_item + low, high - low);
}

PyObject *PyTuple_GetSlice(PyObject *o, Py_ssize_t low, Py_ssize_t high)
{
    if (o && PyTuple_Check(o)) return tuple_slice(o, low, high);
    PyErr_BadInternalCall();
    return NULL;
}

/* Only for a tuple under construction: one reference, not yet seen. */
int _PyTuple_Resize(PyObject **place, Py_ssize_t size)
{
    PyObject *o = *place;
    if (!o || !PyTuple_CheckExact(o) || size < 0 || (Py_SIZE(o) != 0 && Py_REFCNT(o) != 1)) {
        *place = NULL;
        Py_XDECREF(o);
        PyErr_BadInternalCall();
        return -1;
    }
    Py_ssize_t old = Py_SIZE(o), kept = old < size ? old : size;
    if (old == size) return 0;
    if (old == 0 || size == 0) {
        *place = PyTuple_New(size);
        Py_DECREF(o);
        return *place ? 0 : -1;
    }
    Thread *t = thread_get();
    PyTupleObject *tuple = tuple_alloc_checked(t, size), *from = (PyTupleObject *)o;
    if (!tuple) {
        *place = NULL;
        Py_DECREF(o);
        return -1;
    }
    memcpy(tuple->ob_item, from->ob_item, (size_t)kept * sizeof(PyObject *));
    memset(from->ob_item, 0, (size_t)kept * sizeof(PyObject *));
    for (Py_ssize_t i = kept; i < size; i++) tuple->ob_item[i] = NULL;
    gc_track(t, OBJECT(tuple));
    *place = OBJECT(tuple);
    Py_DECREF(o);                                          /* releases what was cut off */
    return 0;
}

/* ---- life -------------------------------------------------------------------------------------------------------------- */

static void tuple_dealloc(PyObject *o)
{
    if (UNLIKELY(o == EMPTY_TUPLE)) {                      /* somebody dropped more than he had */
        Py_SET_REFCNT(o, _Py_IMMORTAL_REFCNT);
        return;
    }
    Thread *t = thread_get();
    PyTupleObject *tuple = (PyTupleObject *)o;
    uint8_t *state = slot_state(o);
    if (*state & SLOT_TRACKED) gc_untrack_at(t, o, state);
    for (Py_ssize_t i = Py_SIZE(o); --i >= 0;) Py_XDECREF(tuple->ob_item[i]);
    if (LIKELY(PyTuple_CheckExact(o))) gc_free_at(t, o, 0, state);
    else Py_TYPE(o)->tp_free(o);
}

static int tuple_traverse(PyObject *o, visitproc visit, void *arg)
{
    PyTupleObject *tuple = (PyTupleObject *)o;
    for (Py_ssize_t i = Py_SIZE(o); --i >= 0;) Py_VISIT(tuple->ob_item[i]);
    return 0;
}

SIGNATURE(tuple_new_signature, "tuple", POSITIONAL, "(iterable=(), /)");

static PyObject *tuple_new_from(PyTypeObject *type, PyObject *iterable)
{
    PyObject *items = iterable ? PySequence_Tuple(iterable) : EMPTY_TUPLE;
    if (!items || type == &PyTuple_Type) return items;
    Py_ssize_t n = PyTuple_GET_SIZE(items);
    PyObject *self = type->tp_alloc(type, n);
    for (Py_ssize_t i = 0; self && i < n; i++) PyTuple_SET_ITEM(self, i, Py_NewRef(PyTuple_GET_ITEM(items, i)));
    Py_DECREF(items);
    return self;
}

static PyObject *tuple_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *arg[1];
    /* Subclasses may take keywords in an __init__ of theirs. */
    if (type != &PyTuple_Type && type->tp_init != PyTuple_Type.tp_init) kwargs = NULL;
    if (args_bind_tuple(&tuple_new_signature, args, kwargs && PyDict_GET_SIZE(kwargs) ? kwargs : NULL, arg) < 0) return NULL;
    return tuple_new_from(type, arg[0]);
}

static PyObject *tuple_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    PyObject *arg[1];
    if (args_bind(&tuple_new_signature, args, PyVectorcall_NARGS(nargsf), kwnames && PyTuple_GET_SIZE(kwnames) ? kwnames : NULL, arg) < 0)
        return NULL;
    return tuple_new_from((PyTypeObject *)type, arg[0]);
}

/* ---- slots ------------------------------------------------------------------------------------------------------------- */

static PyObject *tuple_repr(PyObject *o)
{
    Py_ssize_t n = Py_SIZE(o);
    if (n == 0) return PyUnicode_FromString("()");
    int entered = Py_ReprEnter(o);
    if (entered) return entered > 0 ? PyUnicode_FromString("(...)") : NULL;
    _PyUnicodeWriter w;
    _PyUnicodeWriter_Init(&w);
    w.overallocate = 1;
    w.min_length = n > 1 ? 1 + 1 + (2 + 1) * (n - 1) + 1 : 4;
    if (_PyUnicodeWriter_WriteASCIIString(&w, "(", 1) < 0) goto fail;
    for (Py_ssize_t i = 0; i < n; i++) {
        if (i > 0 && _PyUnicodeWriter_WriteASCIIString(&w, ", ", 2) < 0) goto fail;
        PyObject *text = PyObject_Repr(PyTuple_GET_ITEM(o, i));
        if (!text) goto fail;
        int status = _PyUnicodeWriter_WriteStr(&w, text);
        Py_DECREF(text);
        if (status < 0) goto fail;
    }
    if (_PyUnicodeWriter_WriteASCIIString(&w, n == 1 ? ",)" : ")", n == 1 ? 2 : 1) < 0) goto fail;
    Py_ReprLeave(o);
    return _PyUnicodeWriter_Finish(&w);
fail:
    _PyUnicodeWriter_Dealloc(&w);
    Py_ReprLeave(o);
    return NULL;
}

/* A tuple in a tuple: counted, so that a very deep one is a RecursionError instead of the end of the C stack. */
static Py_hash_t nested_hash(PyObject *item)
{
    if (Py_EnterRecursiveCall(" while hashing a tuple")) return -1;
    Py_hash_t hash = PyObject_Hash(item);
    Py_LeaveRecursiveCall();
    return hash;
}

/* xxHash 64, a lane an item, as CPython folds it. */
static Py_hash_t tuple_hash(PyObject *o)
{
    const Py_uhash_t prime_1 = 11400714785074694791ULL, prime_2 = 14029467366897019727ULL, prime_5 = 2870177450012600261ULL;
    Py_uhash_t acc = prime_5;
    Py_ssize_t n = Py_SIZE(o);
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *item = PyTuple_GET_ITEM(o, i);
        Py_uhash_t lane = (Py_uhash_t)(PyTuple_Check(item) ? nested_hash(item) : quick_hash(item));
        if (lane == (Py_uhash_t)-1) return -1;
        acc += lane * prime_2;
        acc = (acc << 31) | (acc >> 33);
        acc *= prime_1;
    }
    acc += (Py_uhash_t)n ^ (prime_5 ^ 3527539UL);
    return acc == (Py_uhash_t)-1 ? 1546275796 : (Py_hash_t)acc;
}

static Py_ssize_t tuple_length(PyObject *o) { return Py_SIZE(o); }

static int tuple_contains(PyObject *o, PyObject *item)
{
    int same = 0;
    for (Py_ssize_t i = 0; !same && i < Py_SIZE(o); i++) same = object_equal(PyTuple_GET_ITEM(o, i), item);
    return same;
}

static PyObject *tuple_item(PyObject *o, Py_ssize_t i)
{
    if ((size_t)i >= (size_t)Py_SIZE(o)) {
        PyErr_SetString(PyExc_IndexError, "tuple index out of range");
        return NULL;
    }
    return Py_NewRef(PyTuple_GET_ITEM(o, i));
}

static PyObject *tuple_concat(PyObject *a, PyObject *b)
{
    if (Py_SIZE(a) == 0 && PyTuple_CheckExact(b)) return Py_NewRef(b);
    if (!PyTuple_Check(b)) {
        PyErr_Format(PyExc_TypeError, "can only concatenate tuple (not \"%.200s\") to tuple", Py_TYPE(b)->tp_name);
        return NULL;
    }
    if (Py_SIZE(b) == 0 && PyTuple_CheckExact(a)) return Py_NewRef(a);
    Py_ssize_t n = Py_SIZE(a), m = Py_SIZE(b);
    if (n > PY_SSIZE_T_MAX - m) return PyErr_NoMemory();
    if (n + m == 0) return EMPTY_TUPLE;
    Thread *t = thread_get();
    PyTupleObject *tuple = tuple_alloc_checked(t, n + m);
    if (!tuple) return NULL;
    for (Py_ssize_t i = 0; i < n; i++) tuple->ob_item[i] = Py_NewRef(PyTuple_GET_ITEM(a, i));
    for (Py_ssize_t i = 0; i < m; i++) tuple->ob_item[n + i] = Py_NewRef(PyTuple_GET_ITEM(b, i));
    gc_track(t, OBJECT(tuple));
    return OBJECT(tuple);
}

static PyObject *tuple_repeat(PyObject *o, Py_ssize_t times)
{
    Py_ssize_t n = Py_SIZE(o);
    if ((n == 0 || times == 1) && PyTuple_CheckExact(o)) return Py_NewRef(o);
    if (n == 0 || times <= 0) return EMPTY_TUPLE;
    if (n > PY_SSIZE_T_MAX / times) return PyErr_NoMemory();
    Thread *t = thread_get();
    PyTupleObject *tuple = tuple_alloc_checked(t, n * times);
    if (!tuple) return NULL;
    items_repeat(tuple->ob_item, ((PyTupleObject *)o)->ob_item, n, times);
    gc_track(t, OBJECT(tuple));
    return OBJECT(tuple);
}

static PyObject *tuple_subscript(PyObject *o, PyObject *index)
{
    if (PyIndex_Check(index)) {
        Py_ssize_t i = PyNumber_AsSsize_t(index, PyExc_IndexError);
        if (i == -1 && PyErr_Occurred()) return NULL;
        return tuple_item(o, i < 0 ? i + Py_SIZE(o) : i);
    }
    if (!PySlice_Check(index)) {
        PyErr_Format(PyExc_TypeError, "tuple indices must be integers or slices, not %.200s", Py_TYPE(index)->tp_name);
        return NULL;
    }
    Py_ssize_t start, stop, step;
    if (PySlice_Unpack(index, &start, &stop, &step) < 0) return NULL;
    Py_ssize_t n = PySlice_AdjustIndices(Py_SIZE(o), &start, &stop, step);
    if (n <= 0) return EMPTY_TUPLE;
    if (start == 0 && step == 1 && n == Py_SIZE(o) && PyTuple_CheckExact(o)) return Py_NewRef(o);
    Thread *t = thread_get();
    PyTupleObject *tuple = tuple_alloc_checked(t, n);
    if (!tuple) return NULL;
    for (Py_ssize_t i = 0; i < n; i++, start += step) tuple->ob_item[i] = Py_NewRef(PyTuple_GET_ITEM(o, start));
    gc_track(t, OBJECT(tuple));
    return OBJECT(tuple);
}

static PyObject *tuple_richcompare(PyObject *a, PyObject *b, int op)
{
    if (!PyTuple_Check(a) || !PyTuple_Check(b)) Py_RETURN_NOTIMPLEMENTED;
    Py_ssize_t n = Py_SIZE(a), m = Py_SIZE(b), i = 0;
    for (; i < n && i < m; i++) {
        if (PyTuple_GET_ITEM(a, i) == PyTuple_GET_ITEM(b, i)) continue;
        int same = object_equal(PyTuple_GET_ITEM(a, i), PyTuple_GET_ITEM(b, i));
        if (same < 0) return NULL;
        if (!same) break;
    }
    if (i >= n || i >= m) Py_RETURN_RICHCOMPARE(n, m, op);
    if (op == Py_EQ) Py_RETURN_FALSE;
    if (op == Py_NE) Py_RETURN_TRUE;
    return PyObject_RichCompare(PyTuple_GET_ITEM(a, i), PyTuple_GET_ITEM(b, i), op);
}

/* ---- methods --------------------------------------------------------------------------------------------------------------- */

BUILTIN(tuple, index, POSITIONAL, "($self, value, start=0, stop=sys.maxsize, /)",
        "Return first index of value.\n\nRaises ValueError if the value is not present.")
{
    Py_ssize_t start = 0, stop = PY_SSIZE_T_MAX;
    if (arg[1] && !_PyEval_SliceIndexNotNone(arg[1], &start)) return NULL;
    if (arg[2] && !_PyEval_SliceIndexNotNone(arg[2], &stop)) return NULL;
    Py_ssize_t n = Py_SIZE(self);
    if (start < 0 && (start += n) < 0) start = 0;
    if (stop < 0) stop += n;
    else if (stop > n) stop = n;
    for (Py_ssize_t i = start; i < stop; i++) {
        int same = object_equal(PyTuple_GET_ITEM(self, i), arg[0]);
        if (same) return same > 0 ? PyLong_FromSsize_t(i) : NULL;
    }
    PyErr_SetString(PyExc_ValueError, "tuple.index(x): x not in tuple");
    return NULL;
}

BUILTIN_O(tuple, count, "($self, value, /)", "Return number of occurrences of value.")
{
    Py_ssize_t count = 0;
    for (Py_ssize_t i = 0; i < Py_SIZE(self); i++) {
        int same = object_equal(PyTuple_GET_ITEM(self, i), arg);
        if (same < 0) return NULL;
        count += same;
    }
    return PyLong_FromSsize_t(count);
}

BUILTIN_NOARGS(tuple, __getnewargs__, "($self, /)", "Arguments for a new tuple: a copy of this one.")
{
    PyObject *copy = tuple_from_array(((PyTupleObject *)self)->ob_item, Py_SIZE(self));
    return copy ? Py_BuildValue("(N)", copy) : NULL;
}

static PyMethodDef tuple_methods[] = {
    METHOD_UNDOCUMENTED(tuple, __getnewargs__), METHOD(tuple, index), METHOD(tuple, count), CLASS_GETITEM, { 0 },
};

static PyObject *tuple_iter(PyObject *o);

static PySequenceMethods tuple_as_sequence = {
    .sq_length = tuple_length, .sq_concat = tuple_concat, .sq_repeat = tuple_repeat, .sq_item = tuple_item,
    .sq_contains = tuple_contains,
};
static PyMappingMethods tuple_as_mapping = { .mp_length = tuple_length, .mp_subscript = tuple_subscript };

PyTypeObject PyTuple_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "tuple",
    .tp_basicsize = sizeof(PyTupleObject) - sizeof(PyObject *),
    .tp_itemsize = sizeof(PyObject *),
    .tp_dealloc = tuple_dealloc,
    .tp_repr = tuple_repr,
    .tp_as_sequence = &tuple_as_sequence,
    .tp_as_mapping = &tuple_as_mapping,
    .tp_hash = tuple_hash,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_TUPLE_SUBCLASS | _Py_TPFLAGS_MATCH_SELF |
                Py_TPFLAGS_SEQUENCE,
    .tp_doc = "tuple(iterable=(), /)\n--\n\nBuilt-in immutable sequence.\n\n"
              "Without an argument the empty tuple; otherwise a tuple of the iterable's\nitems, which is the argument itself if that is a tuple.",
    .tp_traverse = tuple_traverse,
    .tp_richcompare = tuple_richcompare,
    .tp_iter = tuple_iter,
    .tp_methods = tuple_methods,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = tuple_new,
    .tp_free = PyObject_GC_Del,
    .tp_vectorcall = tuple_vectorcall,
};

/* ---- iterator -------------------------------------------------------------------------------------------------------------- */

#include "objects/list.h"

static PyObject *tuple_iter(PyObject *o)
{
    Thread *t = thread_get();
    ListIterator *it = (ListIterator *)gc_alloc(t, &PyTupleIter_Type, sizeof(ListIterator), 0);
    if (!it) return NULL;
    it->index = 0;
    it->sequence = Py_NewRef(o);
    gc_track(t, OBJECT(it));
    return OBJECT(it);
}

static void tupleiter_dealloc(PyObject *o)
{
    Thread *t = thread_get();
    gc_untrack(t, o);
    Py_XDECREF(((ListIterator *)o)->sequence);
    gc_free(t, o, 0);
}

static int tupleiter_traverse(PyObject *o, visitproc visit, void *arg)
{
    Py_VISIT(((ListIterator *)o)->sequence);
    return 0;
}

static PyObject *tupleiter_next(PyObject *o)
{
    ListIterator *it = (ListIterator *)o;
    PyObject *tuple = it->sequence;
    if (!tuple) return NULL;
    if (LIKELY(it->index < Py_SIZE(tuple))) return Py_NewRef(((PyTupleObject *)tuple)->ob_item[it->index++]);
    it->sequence = NULL;
    Py_DECREF(tuple);
    return NULL;
}

BUILTIN_NOARGS(tupleiter, __length_hint__, "($self, /)", "Private method returning an estimate of len(list(it)).")
{
    ListIterator *it = (ListIterator *)self;
    return PyLong_FromSsize_t(it->sequence ? Py_SIZE(it->sequence) - it->index : 0);
}

BUILTIN_NOARGS(tupleiter, __reduce__, "($self, /)", "Return state information for pickling.")
{
    PyObject *iter = builtin_get("iter");                  /* may run code that exhausts the iterator */
    ListIterator *it = (ListIterator *)self;
    if (!iter) return NULL;
    if (it->sequence) return Py_BuildValue("N(O)n", iter, it->sequence, it->index);
    return Py_BuildValue("N(())", iter);
}

BUILTIN_O(tupleiter, __setstate__, "($self, object, /)", "Set state information for unpickling.")
{
    ListIterator *it = (ListIterator *)self;
    Py_ssize_t index = PyLong_AsSsize_t(arg);
    if (index == -1 && PyErr_Occurred()) return NULL;
    if (it->sequence) it->index = index < 0 ? 0 : index > Py_SIZE(it->sequence) ? Py_SIZE(it->sequence) : index;
    Py_RETURN_NONE;
}

static PyMethodDef tupleiter_methods[] = {
    METHOD(tupleiter, __length_hint__), METHOD(tupleiter, __reduce__), METHOD(tupleiter, __setstate__), { 0 },
};

PyTypeObject PyTupleIter_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "tuple_iterator",
    .tp_basicsize = sizeof(ListIterator),
    .tp_dealloc = tupleiter_dealloc,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = tupleiter_traverse,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = tupleiter_next,
    .tp_methods = tupleiter_methods,
};
