/* slice, and the arithmetic of its indices (PySlice_*). */
#include "objects/containers_private.h"

#define SLICE(o) ((PySliceObject *)(o))

static PyObject *slice_make(PyObject *start, PyObject *stop, PyObject *step)       /* steals, also on failure */
{
    Thread *t = thread_get();
    PySliceObject *s = start && stop && step ? (PySliceObject *)gc_alloc(t, &PySlice_Type, sizeof(PySliceObject), 0) : NULL;
    if (!s) {
        Py_XDECREF(start);
        Py_XDECREF(stop);
        Py_XDECREF(step);
        return NULL;
    }
    s->start = start;
    s->stop = stop;
    s->step = step;
    gc_track(t, OBJECT(s));
    return OBJECT(s);
}

PyObject *PySlice_New(PyObject *start, PyObject *stop, PyObject *step)
{
    return slice_make(Py_NewRef(start ? start : Py_None), Py_NewRef(stop ? stop : Py_None), Py_NewRef(step ? step : Py_None));
}

PyObject *_PySlice_FromIndices(Py_ssize_t start, Py_ssize_t stop)
{
    return slice_make(PyLong_FromSsize_t(start), PyLong_FromSsize_t(stop), Py_NewRef(Py_None));
}

/* ---- indices ------------------------------------------------------------------------------------------------------------- */

int PySlice_Unpack(PyObject *o, Py_ssize_t *start, Py_ssize_t *stop, Py_ssize_t *step)
{
    PySliceObject *s = SLICE(o);
    *step = 1;
    if (s->step != Py_None) {
        if (!_PyEval_SliceIndex(s->step, step)) return -1;
        if (*step == 0) {
            PyErr_SetString(PyExc_ValueError, "slice step cannot be zero");
            return -1;
        }
        if (*step < -PY_SSIZE_T_MAX) *step = -PY_SSIZE_T_MAX;          /* so that -step is a number */
    }
    *start = *step < 0 ? PY_SSIZE_T_MAX : 0;
    *stop = *step < 0 ? PY_SSIZE_T_MIN : PY_SSIZE_T_MAX;
    if (s->start != Py_None && !_PyEval_SliceIndex(s->start, start)) return -1;
    if (s->stop != Py_None && !_PyEval_SliceIndex(s->stop, stop)) return -1;
    return 0;
}

Py_ssize_t PySlice_AdjustIndices(Py_ssize_t length, Py_ssize_t *start, Py_ssize_t *stop, Py_ssize_t step)
{
    Py_ssize_t low = step < 0 ? -1 : 0, high = step < 0 ? length - 1 : length;
    if (*start < 0) {
        if ((*start += length) < 0) *start = low;
    }
    else if (*start >= length) *start = high;
    if (*stop < 0) {
        if ((*stop += length) < 0) *stop = low;
    }
    else if (*stop >= length) *stop = high;
    if (step < 0) return *stop < *start ? (*start - *stop - 1) / -step + 1 : 0;
    return *start < *stop ? (*stop - *start - 1) / step + 1 : 0;
}

int (PySlice_GetIndicesEx)(PyObject *o, Py_ssize_t length, Py_ssize_t *start, Py_ssize_t *stop, Py_ssize_t *step, Py_ssize_t *slicelength)
{
    *slicelength = 0;
    if (PySlice_Unpack(o, start, stop, step) < 0) return -1;
    *slicelength = PySlice_AdjustIndices(length, start, stop, *step);
    return 0;
}

/* The old function, which knows ints only and says no by -1 alone when the slice lies outside. */
int PySlice_GetIndices(PyObject *o, Py_ssize_t length, Py_ssize_t *start, Py_ssize_t *stop, Py_ssize_t *step)
{
    PySliceObject *s = SLICE(o);
    *step = 1;
    if (s->step != Py_None) {
        if (!PyLong_Check(s->step)) return -1;
        *step = PyLong_AsSsize_t(s->step);
    }
    if (s->start == Py_None) *start = *step < 0 ? length - 1 : 0;
    else {
        if (!PyLong_Check(s->start)) return -1;
        if ((*start = PyLong_AsSsize_t(s->start)) < 0) *start += length;
    }
    if (s->stop == Py_None) *stop = *step < 0 ? -1 : length;
    else {
        if (!PyLong_Check(s->stop)) return -1;
        if ((*stop = PyLong_AsSsize_t(s->stop)) < 0) *stop += length;
    }
    if (*stop > length || *start >= length || *step == 0) return -1;
    return 0;
}

/* None, or an int by __index__. New reference. */
static PyObject *slice_index(PyObject *o)
{
    if (PyIndex_Check(o)) return PyNumber_Index(o);
    PyErr_SetString(PyExc_TypeError, "slice indices must be integers or None or have an __index__ method");
    return NULL;
}

static int is_negative(PyObject *o) { return PyObject_RichCompareBool(o, SMALL_INT(0), Py_LT); }

/* One bound: given (None: fallback), counted from the end when negative, moved inside [low, high]. New reference. */
static PyObject *bound(PyObject *given, PyObject *fallback, PyObject *length, PyObject *low, PyObject *high)
{
    if (given == Py_None) return Py_NewRef(fallback);
    PyObject *index = slice_index(given);
    if (!index) return NULL;
    int negative = is_negative(index), outside;
    if (negative > 0) {
        PyObject *from_end = PyNumber_Add(index, length);
        Py_DECREF(index);
        if (!(index = from_end)) return NULL;
        outside = PyObject_RichCompareBool(index, low, Py_LT);
    }
    else outside = negative < 0 ? -1 : PyObject_RichCompareBool(index, high, Py_GT);
    if (outside == 0) return index;
    Py_DECREF(index);
    return outside < 0 ? NULL : Py_NewRef(negative ? low : high);
}

int _PySlice_GetLongIndices(PySliceObject *s, PyObject *length, PyObject **start_out, PyObject **stop_out, PyObject **step_out)
{
    PyObject *start = NULL, *stop = NULL, *step = NULL, *low = NULL, *high = NULL;
    if (!(step = s->step == Py_None ? Py_NewRef(SMALL_INT(1)) : slice_index(s->step))) return -1;
    int down = is_negative(step), zero = PyObject_RichCompareBool(step, SMALL_INT(0), Py_EQ);
    if (zero > 0) PyErr_SetString(PyExc_ValueError, "slice step cannot be zero");
    if (down < 0 || zero) goto fail;
    if (down) {
        low = PyLong_FromLong(-1);
        high = low ? PyNumber_Add(length, low) : NULL;
    }
    else {
        low = Py_NewRef(SMALL_INT(0));
        high = Py_NewRef(length);
    }
    if (!low || !high) goto fail;
    if (!(start = bound(s->start, down ? high : low, length, low, high))) goto fail;
    if (!(stop = bound(s->stop, down ? low : high, length, low, high))) goto fail;
    Py_DECREF(low);
    Py_DECREF(high);
    *start_out = start;
    *stop_out = stop;
    *step_out = step;
    return 0;
fail:
    *start_out = *stop_out = *step_out = NULL;
    Py_XDECREF(start);
    Py_XDECREF(step);
    Py_XDECREF(low);
    Py_XDECREF(high);
    return -1;
}

/* ---- the type --------------------------------------------------------------------------------------------------------------- */

static PyObject *slice_new(PyTypeObject *Py_UNUSED(type), PyObject *args, PyObject *kwargs)
{
    PyObject *start = NULL, *stop = NULL, *step = NULL;
    if (refuse_keywords("slice", kwargs) < 0 || !PyArg_UnpackTuple(args, "slice", 1, 3, &start, &stop, &step)) return NULL;
    if (PyTuple_GET_SIZE(args) == 1) {
        stop = start;
        start = NULL;
    }
    return PySlice_New(start, stop, step);
}

static void slice_dealloc(PyObject *o)
{
    Thread *t = thread_get();
    if (gc_is_tracked(o)) gc_untrack(t, o);
    Py_DECREF(SLICE(o)->start);
    Py_DECREF(SLICE(o)->stop);
    Py_DECREF(SLICE(o)->step);
    gc_free(t, o, 0);
}

static int slice_traverse(PyObject *o, visitproc visit, void *arg)
{
    Py_VISIT(SLICE(o)->start);
    Py_VISIT(SLICE(o)->stop);
    Py_VISIT(SLICE(o)->step);
    return 0;
}

static PyObject *slice_repr(PyObject *o) { return PyUnicode_FromFormat("slice(%R, %R, %R)", SLICE(o)->start, SLICE(o)->stop, SLICE(o)->step); }

static PyObject *slice_richcompare(PyObject *a, PyObject *b, int op)
{
    if (!PySlice_Check(a) || !PySlice_Check(b)) Py_RETURN_NOTIMPLEMENTED;
    if (a == b) return PyBool_FromLong(op == Py_EQ || op == Py_LE || op == Py_GE);
    PyObject *x = PyTuple_Pack(3, SLICE(a)->start, SLICE(a)->stop, SLICE(a)->step), *result = NULL;
    PyObject *y = PyTuple_Pack(3, SLICE(b)->start, SLICE(b)->stop, SLICE(b)->step);
    if (x && y) result = PyObject_RichCompare(x, y, op);
    Py_XDECREF(x);
    Py_XDECREF(y);
    return result;
}

/* As a tuple of three, without its length. */
static Py_hash_t slice_hash(PyObject *o)
{
    const Py_uhash_t prime_1 = 11400714785074694791ULL, prime_2 = 14029467366897019727ULL, prime_5 = 2870177450012600261ULL;
    PyObject *const parts[3] = { SLICE(o)->start, SLICE(o)->stop, SLICE(o)->step };
    Py_uhash_t acc = prime_5;
    if (stack_check() < 0) return -1;
    for (int i = 0; i < 3; i++) {
        Py_uhash_t lane = (Py_uhash_t)PyObject_Hash(parts[i]);
        if (lane == (Py_uhash_t)-1) return -1;
        acc += lane * prime_2;
        acc = (acc << 31) | (acc >> 33);
        acc *= prime_1;
    }
    return acc == (Py_uhash_t)-1 ? 1546275796 : (Py_hash_t)acc;
}

BUILTIN_O(slice, indices, "($self, object, /)",
          "S.indices(len) -> (start, stop, stride)\n\nThe indices that the slice means in a sequence of that length; out of\n"
          "bounds ones are clipped.")
{
    PyObject *start, *stop, *step, *length = PyNumber_Index(arg);
    if (!length) return NULL;
    int negative = is_negative(length), status = -1;
    if (negative > 0) PyErr_SetString(PyExc_ValueError, "length should not be negative");
    if (negative == 0) status = _PySlice_GetLongIndices(SLICE(self), length, &start, &stop, &step);
    Py_DECREF(length);
    return status < 0 ? NULL : Py_BuildValue("(NNN)", start, stop, step);
}

BUILTIN_NOARGS(slice, __reduce__, "($self, /)", "Return state information for pickling.")
{
    return Py_BuildValue("O(OOO)", Py_TYPE(self), SLICE(self)->start, SLICE(self)->stop, SLICE(self)->step);
}

static PyMethodDef slice_methods[] = { METHOD(slice, indices), METHOD(slice, __reduce__), { 0 } };

#define SLICE_MEMBER(name) { #name, _Py_T_OBJECT, offsetof(PySliceObject, name), Py_READONLY, NULL }
static PyMemberDef slice_members[] = { SLICE_MEMBER(start), SLICE_MEMBER(stop), SLICE_MEMBER(step), { 0 } };

PyTypeObject PySlice_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "slice",
    .tp_basicsize = sizeof(PySliceObject),
    .tp_dealloc = slice_dealloc,
    .tp_repr = slice_repr,
    .tp_hash = slice_hash,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_doc = "slice(stop)\nslice(start, stop[, step])\n\nWhat stands between the brackets of an extended subscript: (a[0:10:2]).",
    .tp_traverse = slice_traverse,
    .tp_richcompare = slice_richcompare,
    .tp_methods = slice_methods,
    .tp_members = slice_members,
    .tp_new = slice_new,
};
