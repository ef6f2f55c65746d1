/* range, with int members of any size, and its two iterators: over C longs and over ints.
 *
 * start, stop, step and length are ints (exact, except that a subclass of int given by the user was converted); length is computed
 * once. */
#include "objects/range.h"

#include "objects/containers_private.h"
#include "objects/long.h"

typedef struct Range {
    PyObject_HEAD
    PyObject *start, *stop, *step, *length;
} Range;

#define RANGE(o) ((Range *)(o))

static PyObject *zero(void) { return SMALL_INT(0); }
static PyObject *one(void) { return SMALL_INT(1); }

/* ---- arithmetic of ints -------------------------------------------------------------------------------------------------- */

/* Sign of a non-NULL int: -1, 0, 1. */
static int int_sign(PyObject *o)
{
    int overflow;
    long value = PyLong_AsLongAndOverflow(o, &overflow);
    return overflow ? overflow : (value > 0) - (value < 0);
}

static int int_less(PyObject *a, PyObject *b) { return PyObject_RichCompareBool(a, b, Py_LT); }

/* How many values lie in [low, high) with a step > 0. */
static unsigned long count_longs(long low, long high, long step)
{
    return low >= high ? 0 : 1 + ((unsigned long)high - 1 - (unsigned long)low) / (unsigned long)step;
}

/* New reference: the length of start, stop, step (not zero). */
static PyObject *compute_length(PyObject *start, PyObject *stop, PyObject *step)
{
    int o1, o2, o3;
    long a = PyLong_AsLongAndOverflow(start, &o1), b = PyLong_AsLongAndOverflow(stop, &o2), s = PyLong_AsLongAndOverflow(step, &o3);
    if (!o1 && !o2 && !o3 && s != LONG_MIN)
        return PyLong_FromUnsignedLong(s > 0 ? count_longs(a, b, s) : count_longs(b, a, -s));
    PyObject *low = start, *high = stop, *positive = NULL, *span = NULL, *less1 = NULL, *quotient = NULL, *result = NULL;
    if (int_sign(step) > 0) positive = Py_NewRef(step);
    else {
        low = stop, high = start;
        if (!(positive = PyNumber_Negative(step))) return NULL;
    }
    int any = int_less(low, high);
    if (any == 0) result = Py_NewRef(zero());
    if (any <= 0) goto done;
    if (!(span = PyNumber_Subtract(high, low)) || !(less1 = PyNumber_Subtract(span, one()))) goto done;
    if (!(quotient = PyNumber_FloorDivide(less1, positive))) goto done;
    result = PyNumber_Add(quotient, one());
done:
    Py_XDECREF(positive);
    Py_XDECREF(span);
    Py_XDECREF(less1);
    Py_XDECREF(quotient);
    return result;
}

/* start + i * step */
static PyObject *compute_item(PyObject *start, PyObject *step, PyObject *i)
{
    if (step == one()) return PyNumber_Add(start, i);
    PyObject *offset = PyNumber_Multiply(i, step);
    if (!offset) return NULL;
    PyObject *result = PyNumber_Add(start, offset);
    Py_DECREF(offset);
    return result;
}

/* ---- creation ---------------------------------------------------------------------------------------------------------------- */

/* Steals start, stop, step, also on failure; length is computed. */
static PyObject *range_make(PyTypeObject *type, PyObject *start, PyObject *stop, PyObject *step)
{
    PyObject *length = start && stop && step ? compute_length(start, stop, step) : NULL;
    Range *r = length ? PyObject_New(Range, type) : NULL;
    if (!r) {
        Py_XDECREF(start);
        Py_XDECREF(stop);
        Py_XDECREF(step);
        Py_XDECREF(length);
        return NULL;
    }
    r->start = start;
    r->stop = stop;
    r->step = step;
    r->length = length;
    return OBJECT(r);
}

static PyObject *range_from_array(PyTypeObject *type, PyObject *const *args, Py_ssize_t n)
{
    if (n == 1) {
        PyObject *stop = PyNumber_Index(args[0]);
        return stop ? range_make(type, Py_NewRef(zero()), stop, Py_NewRef(one())) : NULL;
    }
    if (n < 1 || n > 3) {
        PyErr_Format(PyExc_TypeError, n < 1 ? "range expected at least 1 argument, got %zd" : "range expected at most 3 arguments, got %zd", n);
        return NULL;
    }
    PyObject *start, *stop = NULL, *step = NULL;
    if (!(start = PyNumber_Index(args[0])) || !(stop = PyNumber_Index(args[1])) ||
        !(step = n == 3 ? PyNumber_Index(args[2]) : Py_NewRef(one()))) goto fail;
    if (int_sign(step) == 0) {
        PyErr_SetString(PyExc_ValueError, "range() arg 3 must not be zero");
        goto fail;
    }
    return range_make(type, start, stop, step);
fail:
    Py_XDECREF(start);
    Py_XDECREF(stop);
    Py_XDECREF(step);
    return NULL;
}

static PyObject *range_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    if (refuse_keywords("range", kwargs) < 0) return NULL;
    return range_from_array(type, ((PyTupleObject *)args)->ob_item, PyTuple_GET_SIZE(args));
}

static PyObject *range_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    if (kwnames && PyTuple_GET_SIZE(kwnames)) {
        PyErr_SetString(PyExc_TypeError, "range() takes no keyword arguments");
        return NULL;
    }
    return range_from_array((PyTypeObject *)type, args, PyVectorcall_NARGS(nargsf));
}

static void range_dealloc(PyObject *o)
{
    Range *r = RANGE(o);
    Py_DECREF(r->start);
    Py_DECREF(r->stop);
    Py_DECREF(r->step);
    Py_DECREF(r->length);
    PyObject_Free(o);
}

/* ---- slots -------------------------------------------------------------------------------------------------------------------- */

static PyObject *range_repr(PyObject *o)
{
    Range *r = RANGE(o);
    int overflow;
    if (PyLong_AsLongAndOverflow(r->step, &overflow) == 1) return PyUnicode_FromFormat("range(%R, %R)", r->start, r->stop);
    return PyUnicode_FromFormat("range(%R, %R, %R)", r->start, r->stop, r->step);
}

static Py_ssize_t range_length(PyObject *o) { return PyLong_AsSsize_t(RANGE(o)->length); }

static PyObject *range_item_at(Range *r, PyObject *index)              /* any int; negative from the end */
{
    PyObject *i = Py_NewRef(index), *result = NULL;
    if (int_sign(i) < 0) {
        PyObject *from_end = PyNumber_Add(r->length, i);
        Py_DECREF(i);
        if (!(i = from_end)) return NULL;
    }
    int inside = int_sign(i) >= 0 ? int_less(i, r->length) : 0;
    if (inside > 0) result = compute_item(r->start, r->step, i);
    else if (inside == 0) PyErr_SetString(PyExc_IndexError, "range object index out of range");
    Py_DECREF(i);
    return result;
}

static PyObject *range_item(PyObject *o, Py_ssize_t i)
{
    PyObject *index = PyLong_FromSsize_t(i);
    if (!index) return NULL;
    PyObject *result = range_item_at(RANGE(o), index);
    Py_DECREF(index);
    return result;
}

static PyObject *range_slice(Range *r, PyObject *slice)
{
    PyObject *start = NULL, *stop = NULL, *step = NULL, *new_start = NULL, *new_stop = NULL, *new_step, *result = NULL;
    if (_PySlice_GetLongIndices((PySliceObject *)slice, r->length, &start, &stop, &step) < 0) return NULL;
    if ((new_step = PyNumber_Multiply(r->step, step)) && (new_start = compute_item(r->start, r->step, start)) &&
        (new_stop = compute_item(r->start, r->step, stop)))
        result = range_make(Py_TYPE(r), Py_NewRef(new_start), Py_NewRef(new_stop), Py_NewRef(new_step));
    Py_XDECREF(new_step);
    Py_XDECREF(new_start);
    Py_XDECREF(new_stop);
    Py_DECREF(start);
    Py_DECREF(stop);
    Py_DECREF(step);
    return result;
}

static PyObject *range_subscript(PyObject *o, PyObject *key)
{
    if (PyIndex_Check(key)) {
        PyObject *index = PyNumber_Index(key);
        if (!index) return NULL;
        PyObject *result = range_item_at(RANGE(o), index);
        Py_DECREF(index);
        return result;
    }
    if (PySlice_Check(key)) return range_slice(RANGE(o), key);
    PyErr_Format(PyExc_TypeError, "range indices must be integers or slices, not %.200s", Py_TYPE(key)->tp_name);
    return NULL;
}

static int range_bool(PyObject *o) { return int_sign(RANGE(o)->length) != 0; }

static bool is_plain_int(PyObject *o) { return PyLong_CheckExact(o) || PyBool_Check(o); }

/* For exact ints and bools: arithmetic. */
static int range_contains_int(Range *r, PyObject *value)
{
    int inside, up = int_sign(r->step) > 0;
    if ((inside = up ? PyObject_RichCompareBool(r->start, value, Py_LE) : int_less(r->stop, value)) <= 0) return inside;
    if ((inside = up ? int_less(value, r->stop) : PyObject_RichCompareBool(value, r->start, Py_LE)) <= 0) return inside;
    PyObject *distance = PyNumber_Subtract(value, r->start);
    PyObject *rest = distance ? PyNumber_Remainder(distance, r->step) : NULL;
    int result = rest ? int_sign(rest) == 0 : -1;
    Py_XDECREF(distance);
    Py_XDECREF(rest);
    return result;
}

static int range_contains(PyObject *o, PyObject *value)
{
    if (is_plain_int(value)) return range_contains_int(RANGE(o), value);
    PyObject *item, *it = PyObject_GetIter(o);             /* anything may call itself equal to an int */
    int found = it ? 0 : -1;
    while (found == 0 && (item = PyIter_Next(it))) {
        found = PyObject_RichCompareBool(item, value, Py_EQ);
        Py_DECREF(item);
    }
    Py_XDECREF(it);
    return found == 0 && PyErr_Occurred() ? -1 : found;
}

static int ranges_equal(Range *a, Range *b)
{
    int same;
    if (a == b) return 1;
    if ((same = PyObject_RichCompareBool(a->length, b->length, Py_EQ)) <= 0) return same;
    if (int_sign(a->length) == 0) return 1;
    if ((same = PyObject_RichCompareBool(a->start, b->start, Py_EQ)) <= 0) return same;
    if ((same = PyObject_RichCompareBool(a->length, one(), Py_EQ)) != 0) return same;
    return PyObject_RichCompareBool(a->step, b->step, Py_EQ);
}

static PyObject *range_richcompare(PyObject *a, PyObject *b, int op)
{
    if (!PyRange_Check(b) || (op != Py_EQ && op != Py_NE)) Py_RETURN_NOTIMPLEMENTED;
    int same = ranges_equal(RANGE(a), RANGE(b));
    return same < 0 ? NULL : PyBool_FromLong(same == (op == Py_EQ));
}

/* Equal ranges, equal hashes: what does not matter is None. */
static Py_hash_t range_hash(PyObject *o)
{
    Range *r = RANGE(o);
    PyObject *start = r->start, *step = r->step;
    if (int_sign(r->length) == 0) start = step = Py_None;
    else {
        int single = PyObject_RichCompareBool(r->length, one(), Py_EQ);
        if (single < 0) return -1;
        if (single) step = Py_None;
    }
    PyObject *tuple = PyTuple_Pack(3, r->length, start, step);
    if (!tuple) return -1;
    Py_hash_t hash = PyObject_Hash(tuple);
    Py_DECREF(tuple);
    return hash;
}

/* ---- methods ------------------------------------------------------------------------------------------------------------------ */

BUILTIN_O(range, count, "($self, object, /)", "rangeobject.count(value) -> integer -- return number of occurrences of value")
{
    if (!is_plain_int(arg)) {
        Py_ssize_t n = PySequence_Count(self, arg);
        return n < 0 ? NULL : PyLong_FromSsize_t(n);
    }
    int found = range_contains_int(RANGE(self), arg);
    return found < 0 ? NULL : PyLong_FromLong(found);
}

BUILTIN_O(range, index, "($self, object, /)",
          "rangeobject.index(value) -> integer -- return index of value.\nRaise ValueError if the value is not present.")
{
    if (!is_plain_int(arg)) {
        Py_ssize_t i = PySequence_Index(self, arg);
        return i < 0 ? NULL : PyLong_FromSsize_t(i);
    }
    int found = range_contains_int(RANGE(self), arg);
    if (found < 0) return NULL;
    if (!found) {
        PyErr_Format(PyExc_ValueError, "%R is not in range", arg);
        return NULL;
    }
    PyObject *distance = PyNumber_Subtract(arg, RANGE(self)->start);
    if (!distance || RANGE(self)->step == one()) return distance;
    PyObject *i = PyNumber_FloorDivide(distance, RANGE(self)->step);
    Py_DECREF(distance);
    return i;
}

BUILTIN_NOARGS(range, __reduce__, "($self, /)", "Type and arguments for pickling.")
{
    return Py_BuildValue("(O(OOO))", Py_TYPE(self), RANGE(self)->start, RANGE(self)->stop, RANGE(self)->step);
}

static PyObject *range_reversed(PyObject *self, PyObject *unused);

static PyMethodDef range_methods[] = {
    { "__reversed__", range_reversed, METH_NOARGS, "__reversed__($self, /)\n--\n\nReturn a reverse iterator." },
    METHOD(range, __reduce__), METHOD(range, count), METHOD(range, index), { 0 },
};

#define RANGE_MEMBER(name) { #name, Py_T_OBJECT_EX, offsetof(Range, name), Py_READONLY, NULL }
static PyMemberDef range_members[] = { RANGE_MEMBER(start), RANGE_MEMBER(stop), RANGE_MEMBER(step), { 0 } };

static PyObject *range_iter(PyObject *o);

static PySequenceMethods range_as_sequence = { .sq_length = range_length, .sq_item = range_item, .sq_contains = range_contains };
static PyMappingMethods range_as_mapping = { .mp_length = range_length, .mp_subscript = range_subscript };
static PyNumberMethods range_as_number = { .nb_bool = range_bool };

PyTypeObject PyRange_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "range",
    .tp_basicsize = sizeof(Range),
    .tp_dealloc = range_dealloc,
    .tp_repr = range_repr,
    .tp_as_number = &range_as_number,
    .tp_as_sequence = &range_as_sequence,
    .tp_as_mapping = &range_as_mapping,
    .tp_hash = range_hash,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_SEQUENCE,
    .tp_doc = "range(stop) -> range object\nrange(start, stop[, step]) -> range object\n\n"
              "The integers from start (0 when left out) up to, but without, stop, in\nsteps of step; with a negative step they go down.",
    .tp_richcompare = range_richcompare,
    .tp_iter = range_iter,
    .tp_methods = range_methods,
    .tp_members = range_members,
    .tp_new = range_new,
    .tp_vectorcall = range_vectorcall,
};

/* ---- iterator over longs -------------------------------------------------------------------------------------------------------- */

static PyObject *rangeiter_make(long start, long step, long len)
{
    RangeIterator *it = (RangeIterator *)object_alloc(thread_get(), &PyRangeIter_Type, sizeof(RangeIterator));
    if (!it) return NULL;
    it->start = start;
    it->step = step;
    it->len = len;
    return OBJECT(it);
}

static PyObject *rangeiter_next(PyObject *o)
{
    RangeIterator *it = (RangeIterator *)o;
    if (it->len <= 0) return NULL;
    long value = it->start;
    it->start = (long)((unsigned long)value + (unsigned long)it->step);
    it->len--;
    return long_from_i64(thread_get(), value);
}

BUILTIN_NOARGS(rangeiter, __length_hint__, "($self, /)", "Private method returning an estimate of len(list(it)).")
{
    return PyLong_FromLong(((RangeIterator *)self)->len);
}

/* (iter, (range(...),), None) */
static PyObject *reduce_with(PyObject *start, PyObject *stop, PyObject *step)      /* steals */
{
    PyObject *range = range_make(&PyRange_Type, start, stop, step), *iter = range ? builtin_get("iter") : NULL;
    if (!iter) {
        Py_XDECREF(range);
        return NULL;
    }
    return Py_BuildValue("N(N)O", iter, range, Py_None);
}

BUILTIN_NOARGS(rangeiter, __reduce__, "($self, /)", "Return state information for pickling.")
{
    RangeIterator *it = (RangeIterator *)self;
    return reduce_with(PyLong_FromLong(it->start), PyLong_FromLong((long)((unsigned long)it->start + (unsigned long)it->len * (unsigned long)it->step)),
                       PyLong_FromLong(it->step));
}

BUILTIN_O(rangeiter, __setstate__, "($self, object, /)", "Set state information for unpickling.")
{
    RangeIterator *it = (RangeIterator *)self;
    long index = PyLong_AsLong(arg);
    if (index == -1 && PyErr_Occurred()) return NULL;
    if (index < 0) index = 0;
    if (index > it->len) index = it->len;
    it->start = (long)((unsigned long)it->start + (unsigned long)index * (unsigned long)it->step);
    it->len -= index;
    Py_RETURN_NONE;
}

static PyMethodDef rangeiter_methods[] = {
    METHOD(rangeiter, __length_hint__), METHOD(rangeiter, __reduce__), METHOD(rangeiter, __setstate__), { 0 },
};

static void rangeiter_dealloc(PyObject *o) { PyObject_Free(o); }

PyTypeObject PyRangeIter_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "range_iterator",
    .tp_basicsize = sizeof(RangeIterator),
    .tp_dealloc = rangeiter_dealloc,
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = rangeiter_next,
    .tp_methods = rangeiter_methods,
};

/* ---- iterator over ints ---------------------------------------------------------------------------------------------------------- */

typedef struct LongRangeIterator {
    PyObject_HEAD
    PyObject *start, *step, *len;
} LongRangeIterator;

static PyObject *longrangeiter_make(PyObject *start, PyObject *step, PyObject *len)
{
    LongRangeIterator *it = PyObject_New(LongRangeIterator, &PyLongRangeIter_Type);
    if (!it) return NULL;
    it->start = Py_NewRef(start);
    it->step = Py_NewRef(step);
    it->len = Py_NewRef(len);
    return OBJECT(it);
}

static void longrangeiter_dealloc(PyObject *o)
{
    LongRangeIterator *it = (LongRangeIterator *)o;
    Py_XDECREF(it->start);
    Py_XDECREF(it->step);
    Py_XDECREF(it->len);
    PyObject_Free(o);
}

static PyObject *longrangeiter_next(PyObject *o)
{
    LongRangeIterator *it = (LongRangeIterator *)o;
    if (int_sign(it->len) <= 0) return NULL;
    PyObject *len = PyNumber_Subtract(it->len, one()), *next = len ? PyNumber_Add(it->start, it->step) : NULL;
    if (!next) {
        Py_XDECREF(len);
        return NULL;
    }
    PyObject *value = it->start;
    it->start = next;
    SET_FIELD(it->len, len);
    return value;
}

BUILTIN_NOARGS(longrangeiter, __length_hint__, "($self, /)", "Private method returning an estimate of len(list(it)).")
{
    return Py_NewRef(((LongRangeIterator *)self)->len);
}

BUILTIN_NOARGS(longrangeiter, __reduce__, "($self, /)", "Return state information for pickling.")
{
    LongRangeIterator *it = (LongRangeIterator *)self;
    return reduce_with(Py_NewRef(it->start), compute_item(it->start, it->step, it->len), Py_NewRef(it->step));
}

BUILTIN_O(longrangeiter, __setstate__, "($self, object, /)", "Set state information for unpickling.")
{
    LongRangeIterator *it = (LongRangeIterator *)self;
    if (!PyLong_CheckExact(arg)) {
        PyErr_Format(PyExc_TypeError, "state must be an int, not %T", arg);
        return NULL;
    }
    PyObject *index = arg;
    int beyond = int_sign(arg) < 0 ? 0 : int_less(it->len, arg);
    if (beyond < 0) return NULL;
    if (int_sign(arg) < 0) index = zero();
    if (beyond) index = it->len;
    PyObject *start = compute_item(it->start, it->step, index), *len = start ? PyNumber_Subtract(it->len, index) : NULL;
    if (!len) {
        Py_XDECREF(start);
        return NULL;
    }
    SET_FIELD(it->start, start);
    SET_FIELD(it->len, len);
    Py_RETURN_NONE;
}

static PyMethodDef longrangeiter_methods[] = {
    METHOD(longrangeiter, __length_hint__), METHOD(longrangeiter, __reduce__), METHOD(longrangeiter, __setstate__), { 0 },
};

PyTypeObject PyLongRangeIter_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "longrange_iterator",
    .tp_basicsize = sizeof(LongRangeIterator),
    .tp_dealloc = longrangeiter_dealloc,
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = longrangeiter_next,
    .tp_methods = longrangeiter_methods,
};

/* ---- iterating -------------------------------------------------------------------------------------------------------------------- */

/* May start, start + step ... past the last value be computed in a long? */
static bool fits(long start, long stop, long step, unsigned long n)
{
    if (n > (unsigned long)LONG_MAX) return false;
    if (n == 0) return true;
    return step > 0 ? stop <= LONG_MAX - (step - 1) : stop >= LONG_MIN + (-1 - step);
    (void)start;
}

static PyObject *range_iter(PyObject *o)
{
    Range *r = RANGE(o);
    int o1, o2, o3;
    long start = PyLong_AsLongAndOverflow(r->start, &o1), stop = PyLong_AsLongAndOverflow(r->stop, &o2);
    long step = PyLong_AsLongAndOverflow(r->step, &o3);
    if (!o1 && !o2 && !o3 && step != LONG_MIN) {
        unsigned long n = step > 0 ? count_longs(start, stop, step) : count_longs(stop, start, -step);
        if (fits(start, stop, step, n)) return rangeiter_make(start, step, (long)n);
    }
    return longrangeiter_make(r->start, r->step, r->length);
}

static PyObject *range_reversed(PyObject *o, PyObject *Py_UNUSED(unused))
{
    Range *r = RANGE(o);
    int o1, o2, o3;
    long start = PyLong_AsLongAndOverflow(r->start, &o1), stop = PyLong_AsLongAndOverflow(r->stop, &o2);
    long step = PyLong_AsLongAndOverflow(r->step, &o3);
    if (!o1 && !o2 && !o3 && step != LONG_MIN && !(step > 0 ? start < LONG_MIN + step : start > LONG_MAX + step)) {
        unsigned long n = step > 0 ? count_longs(start, stop, step) : count_longs(stop, start, -step);
        if (n <= (unsigned long)LONG_MAX)
            return rangeiter_make((long)((unsigned long)start + (n - 1) * (unsigned long)step), -step, (long)n);
    }
    PyObject *back = PyNumber_Negative(r->step), *before = PyNumber_Subtract(r->length, one()), *last = NULL, *result = NULL;
    if (back && before && (last = compute_item(r->start, r->step, before))) result = longrangeiter_make(last, back, r->length);
    Py_XDECREF(back);
    Py_XDECREF(before);
    Py_XDECREF(last);
    return result;
}
