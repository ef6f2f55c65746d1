/* itertools: count, repeat, cycle, and what filters, maps or accumulates one iterable. */
#include "modules/itertools.h"

/* ---- count -------------------------------------------------------------------------------------------------------------------- */

typedef struct Count {
    PyObject_HEAD
    Py_ssize_t count;                         /* PY_SSIZE_T_MAX: long_count counts, in steps of step */
    PyObject *long_count, *step;
} Count;

#define COUNT(o) ((Count *)(o))
DEFINE_LIFE(count, Count, 2, (void)0, long_count, step)
SIGNATURE(count_signature, "count", KEYWORDS, "(start=0, step=1)");

/* Is the step the int 1? */
static bool is_one(PyObject *step)
{
    int overflow;
    return PyLong_Check(step) && PyLong_AsLongAndOverflow(step, &overflow) == 1;
}

static PyObject *count_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *arg[2], *start, *step;
    if (args_bind_tuple(&count_signature, args, kwargs, arg) < 0) return NULL;
    if ((arg[0] && !PyNumber_Check(arg[0])) || (arg[1] && !PyNumber_Check(arg[1]))) {
        PyErr_SetString(PyExc_TypeError, "a number is required");
        return NULL;
    }
    if (!(start = arg[0] ? Py_NewRef(arg[0]) : PyLong_FromLong(0))) return NULL;
    if (!(step = arg[1] ? Py_NewRef(arg[1]) : PyLong_FromLong(1))) {
        Py_DECREF(start);
        return NULL;
    }
    Py_ssize_t count = PY_SSIZE_T_MAX;
    if (PyLong_Check(start) && is_one(step)) {
        count = PyLong_AsSsize_t(start);
        if (count == -1 && PyErr_Occurred()) {
            PyErr_Clear();
            count = PY_SSIZE_T_MAX;
        }
    }
    Count *self = COUNT(type->tp_alloc(type, 0));
    if (!self) {
        Py_DECREF(start);
        Py_DECREF(step);
        return NULL;
    }
    self->count = count;
    self->step = step;
    if (count == PY_SSIZE_T_MAX) self->long_count = start;
    else Py_DECREF(start);
    return (PyObject *)self;
}

static PyObject *count_next(PyObject *o)
{
    Count *self = COUNT(o);
    if (LIKELY(self->count != PY_SSIZE_T_MAX)) return PyLong_FromSsize_t(self->count++);
    if (!self->long_count && !(self->long_count = PyLong_FromSsize_t(PY_SSIZE_T_MAX))) return NULL;
    PyObject *now = Py_NewRef(self->long_count), *next = PyNumber_Add(now, self->step);
    if (!next) {
        Py_DECREF(now);
        return NULL;
    }
    SET_FIELD(self->long_count, next);
    return now;
}

static PyObject *count_repr(PyObject *o)
{
    Count *self = COUNT(o);
    const char *dot = strrchr(Py_TYPE(o)->tp_name, '.'), *name = dot ? dot + 1 : Py_TYPE(o)->tp_name;
    if (!self->long_count) return PyUnicode_FromFormat("%s(%zd)", name, self->count);
    if (is_one(self->step)) return PyUnicode_FromFormat("%s(%R)", name, self->long_count);
    return PyUnicode_FromFormat("%s(%R, %R)", name, self->long_count, self->step);
}

BUILTIN_NOARGS(count, __reduce__, "($self, /)", "Return state information for pickling.")
{
    Count *c = COUNT(self);
    if (itertools_warn_pickle() < 0) return NULL;
    if (c->long_count) return Py_BuildValue("O(OO)", Py_TYPE(self), c->long_count, c->step);
    return Py_BuildValue("O(n)", Py_TYPE(self), c->count);
}

static PyMethodDef count_methods[] = { METHOD(count, __reduce__), { 0 } };
DEFINE_SPEC(count, Count, ITERTOOL_FLAGS, ITERATOR_SLOTS(count), SLOT(tp_repr, count_repr),
            { Py_tp_doc, "count(start=0, step=1)\n--\n\nReturn a count object whose .__next__() method returns consecutive values.\n\n"
                         "    def count(firstval=0, step=1):\n        x = firstval\n        while 1:\n            yield x\n            x += step\n" })

/* ---- repeat ----------------------------------------------------------------------------------------------------------------------- */

typedef struct Repeat {
    PyObject_HEAD
    PyObject *element;
    Py_ssize_t left;                          /* -1: for ever */
} Repeat;

#define REPEAT(o) ((Repeat *)(o))
DEFINE_LIFE(repeat, Repeat, 1, (void)0, element)
SIGNATURE(repeat_signature, "repeat", KEYWORDS, "(object, times=None)");

static PyObject *repeat_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *arg[2];
    Py_ssize_t times = -1;
    if (args_bind_tuple(&repeat_signature, args, kwargs, arg) < 0) return NULL;
    if (arg[1]) {
        PyObject *index = PyNumber_Index(arg[1]);
        if (!index) return NULL;
        times = PyLong_AsSsize_t(index);
        Py_DECREF(index);
        if (times == -1 && PyErr_Occurred()) return NULL;
        if (times < 0) times = 0;
    }
    Repeat *self = REPEAT(type->tp_alloc(type, 0));
    if (!self) return NULL;
    self->element = Py_NewRef(arg[0]);
    self->left = times;
    return (PyObject *)self;
}

static PyObject *repeat_next(PyObject *o)
{
    Repeat *self = REPEAT(o);
    if (self->left == 0) return NULL;
    if (self->left > 0) self->left--;
    return Py_NewRef(self->element);
}

static PyObject *repeat_repr(PyObject *o)
{
    const char *dot = strrchr(Py_TYPE(o)->tp_name, '.'), *name = dot ? dot + 1 : Py_TYPE(o)->tp_name;
    if (REPEAT(o)->left == -1) return PyUnicode_FromFormat("%s(%R)", name, REPEAT(o)->element);
    return PyUnicode_FromFormat("%s(%R, %zd)", name, REPEAT(o)->element, REPEAT(o)->left);
}

BUILTIN_NOARGS(repeat, __length_hint__, "($self, /)", "Private method returning an estimate of len(list(it)).")
{
    if (REPEAT(self)->left >= 0) return PyLong_FromSsize_t(REPEAT(self)->left);
    PyErr_SetString(PyExc_TypeError, "len() of unsized object");
    return NULL;
}

BUILTIN_NOARGS(repeat, __reduce__, "($self, /)", "Return state information for pickling.")
{
    if (itertools_warn_pickle() < 0) return NULL;
    if (REPEAT(self)->left >= 0) return Py_BuildValue("O(On)", Py_TYPE(self), REPEAT(self)->element, REPEAT(self)->left);
    return Py_BuildValue("O(O)", Py_TYPE(self), REPEAT(self)->element);
}

static PyMethodDef repeat_methods[] = { METHOD(repeat, __length_hint__), METHOD(repeat, __reduce__), { 0 } };
DEFINE_SPEC(repeat, Repeat, ITERTOOL_FLAGS, ITERATOR_SLOTS(repeat), SLOT(tp_repr, repeat_repr),
            { Py_tp_doc, "repeat(object [,times]) -> create an iterator which returns the object\nfor the specified number of times.  "
                         "If not specified, returns the object\nendlessly." })

/* ---- cycle ------------------------------------------------------------------------------------------------------------------------- */

typedef struct Cycle {
    PyObject_HEAD
    PyObject *it;                             /* NULL when exhausted: then saved is gone through again and again */
    PyObject *saved;                          /* list */
    Py_ssize_t index;
    int saved_before;                         /* restored from a pickle that had saved everything: do not save again */
} Cycle;

#define CYCLE(o) ((Cycle *)(o))
DEFINE_LIFE(cycle, Cycle, 2, (void)0, it, saved)
SIGNATURE(cycle_signature, "cycle", POSITIONAL, "(iterable, /)");

static PyObject *cycle_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *arg[1];
    if (no_keywords(type, "cycle", kwargs) < 0 || args_bind_tuple(&cycle_signature, args, NULL, arg) < 0) return NULL;
    PyObject *it = PyObject_GetIter(arg[0]), *saved = it ? PyList_New(0) : NULL;
    Cycle *self = saved ? CYCLE(type->tp_alloc(type, 0)) : NULL;
    if (!self) {
        Py_XDECREF(it);
        Py_XDECREF(saved);
        return NULL;
    }
    self->it = it;
    self->saved = saved;
    return (PyObject *)self;
}

static PyObject *cycle_next(PyObject *o)
{
    Cycle *self = CYCLE(o);
    if (self->it) {
        PyObject *it = Py_NewRef(self->it), *item = PyIter_Next(it);     /* which may come here, and end it */
        Py_DECREF(it);
        if (item) {
            if (!self->saved_before && PyList_Append(self->saved, item) < 0) Py_CLEAR(item);
            return item;
        }
        if (PyErr_Occurred()) return NULL;
        Py_CLEAR(self->it);
    }
    Py_ssize_t n = PyList_GET_SIZE(self->saved);
    if (n == 0) return NULL;
    if (self->index >= n) self->index = 0;
    PyObject *item = PyList_GET_ITEM(self->saved, self->index);
    if (++self->index >= n) self->index = 0;
    return Py_NewRef(item);
}

BUILTIN_NOARGS(cycle, __reduce__, "($self, /)", "Return state information for pickling.")
{
    Cycle *c = CYCLE(self);
    if (itertools_warn_pickle() < 0) return NULL;
    if (c->it) return Py_BuildValue("O(O)(Oi)", Py_TYPE(self), c->it, c->saved, c->saved_before);
    PyObject *it = PyObject_GetIter(c->saved);
    if (!it) return NULL;
    if (c->index) {
        PyObject *none = PyObject_CallMethod(it, "__setstate__", "n", c->index);
        if (!none) {
            Py_DECREF(it);
            return NULL;
        }
        Py_DECREF(none);
    }
    return Py_BuildValue("O(N)(Oi)", Py_TYPE(self), it, c->saved, 1);
}

BUILTIN_O(cycle, __setstate__, "($self, object, /)", "Set state information for unpickling.")
{
    PyObject *saved;
    int saved_before;
    if (itertools_warn_pickle() < 0) return NULL;
    if (!PyTuple_Check(arg)) {
        PyErr_SetString(PyExc_TypeError, "state is not a tuple");
        return NULL;
    }
    if (!PyArg_ParseTuple(arg, "O!i", &PyList_Type, &saved, &saved_before)) return NULL;
    SET_FIELD(CYCLE(self)->saved, Py_NewRef(saved));
    CYCLE(self)->saved_before = saved_before != 0;
    CYCLE(self)->index = 0;
    Py_RETURN_NONE;
}

static PyMethodDef cycle_methods[] = { METHOD(cycle, __reduce__), METHOD(cycle, __setstate__), { 0 } };
DEFINE_SPEC(cycle, Cycle, ITERTOOL_FLAGS, ITERATOR_SLOTS(cycle),
            { Py_tp_doc, "cycle(iterable, /)\n--\n\nReturn elements from the iterable until it is exhausted. Then repeat the sequence indefinitely." })

/* ---- dropwhile, takewhile, filterfalse, starmap: a function and an iterator ------------------------------------------------------------ */

typedef struct Applied {
    PyObject_HEAD
    PyObject *function, *it;
    long done;                                /* dropwhile: the first item was found; takewhile: the end was found */
} Applied;

typedef struct AppliedSmall {
    PyObject_HEAD
    PyObject *function, *it;
} AppliedSmall;

#define APPLIED(o) ((Applied *)(o))
DEFINE_LIFE(applied, AppliedSmall, 2, (void)0, function, it)

/* (function, iterable, /) */
static PyObject *applied_make(PyTypeObject *type, Signature *signature, PyObject *args, PyObject *kwargs)
{
    PyObject *arg[2];
    if (no_keywords(type, signature->name, kwargs) < 0 || args_bind_tuple(signature, args, NULL, arg) < 0) return NULL;
    PyObject *it = PyObject_GetIter(arg[1]);
    AppliedSmall *self = it ? (AppliedSmall *)type->tp_alloc(type, 0) : NULL;
    if (!self) {
        Py_XDECREF(it);
        return NULL;
    }
    self->function = Py_NewRef(arg[0]);
    self->it = it;
    return (PyObject *)self;
}

#define APPLIED_NEW(name, sig)                                                                        \
    SIGNATURE(name##_signature, #name, POSITIONAL, sig);                                              \
    static PyObject *name##_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)                 \
    {                                                                                                 \
        return applied_make(type, &name##_signature, args, kwargs);                                   \
    }

/* The truth of function(item). */
static int verdict(PyObject *function, PyObject *item)
{
    PyObject *result = PyObject_CallOneArg(function, item);
    if (!result) return -1;
    int truth = PyObject_IsTrue(result);
    Py_DECREF(result);
    return truth;
}

#define APPLIED_SLOTS(name)                                                                                             \
    SLOT(tp_dealloc, applied_dealloc), SLOT(tp_getattro, PyObject_GenericGetAttr), SLOT(tp_traverse, applied_traverse),  \
    SLOT(tp_clear, applied_clear), SLOT(tp_new, name##_new), SLOT(tp_free, PyObject_GC_Del),                            \
    SLOT(tp_iter, PyObject_SelfIter), SLOT(tp_iternext, name##_next), SLOT(tp_methods, name##_methods)

APPLIED_NEW(dropwhile, "(predicate, iterable, /)")
APPLIED_NEW(takewhile, "(predicate, iterable, /)")
APPLIED_NEW(filterfalse, "(function, iterable, /)")
APPLIED_NEW(starmap, "(function, iterable, /)")

static PyObject *dropwhile_next(PyObject *o)
{
    Applied *self = APPLIED(o);
    PyObject *item;
    while ((item = iterator_next(self->it))) {
        if (self->done) return item;
        int drop = verdict(self->function, item);
        if (drop == 0) {
            self->done = 1;
            return item;
        }
        Py_DECREF(item);
        if (drop < 0) return NULL;
    }
    return NULL;
}

static PyObject *takewhile_next(PyObject *o)
{
    Applied *self = APPLIED(o);
    if (self->done) return NULL;
    PyObject *item = iterator_next(self->it);
    if (!item) return NULL;
    int take = verdict(self->function, item);
    if (take > 0) return item;
    if (take == 0) self->done = 1;
    Py_DECREF(item);
    return NULL;
}

static PyObject *filterfalse_next(PyObject *o)
{
    AppliedSmall *self = (AppliedSmall *)o;
    bool by_truth = self->function == Py_None || self->function == (PyObject *)&PyBool_Type;
    PyObject *item;
    while ((item = iterator_next(self->it))) {
        int drop = by_truth ? PyObject_IsTrue(item) : verdict(self->function, item);
        if (drop == 0) return item;
        Py_DECREF(item);
        if (drop < 0) return NULL;
    }
    return NULL;
}

static PyObject *starmap_next(PyObject *o)
{
    AppliedSmall *self = (AppliedSmall *)o;
    PyObject *args = iterator_next(self->it), *result;
    if (!args) return NULL;
    if (!PyTuple_CheckExact(args)) {
        PyObject *tuple = PySequence_Tuple(args);
        Py_DECREF(args);
        if (!(args = tuple)) return NULL;
    }
    result = PyObject_Call(self->function, args, NULL);
    Py_DECREF(args);
    return result;
}

static PyObject *reduce_applied(PyObject *self)
{
    if (itertools_warn_pickle() < 0) return NULL;
    return Py_BuildValue("O(OO)", Py_TYPE(self), APPLIED(self)->function, APPLIED(self)->it);
}

static PyObject *reduce_applied_done(PyObject *self)
{
    if (itertools_warn_pickle() < 0) return NULL;
    return Py_BuildValue("O(OO)l", Py_TYPE(self), APPLIED(self)->function, APPLIED(self)->it, APPLIED(self)->done);
}

static PyObject *setstate_done(PyObject *self, PyObject *state)
{
    if (itertools_warn_pickle() < 0) return NULL;
    int done = PyObject_IsTrue(state);
    if (done < 0) return NULL;
    APPLIED(self)->done = done;
    Py_RETURN_NONE;
}

REDUCE(dropwhile) { return reduce_applied_done(self); }
REDUCE(takewhile) { return reduce_applied_done(self); }
REDUCE(filterfalse) { return reduce_applied(self); }
REDUCE(starmap) { return reduce_applied(self); }
SETSTATE(dropwhile) { return setstate_done(self, arg); }
SETSTATE(takewhile) { return setstate_done(self, arg); }

static PyMethodDef dropwhile_methods[] = { METHOD(dropwhile, __reduce__), METHOD(dropwhile, __setstate__), { 0 } };
static PyMethodDef takewhile_methods[] = { METHOD(takewhile, __reduce__), METHOD(takewhile, __setstate__), { 0 } };
static PyMethodDef filterfalse_methods[] = { METHOD(filterfalse, __reduce__), { 0 } };
static PyMethodDef starmap_methods[] = { METHOD(starmap, __reduce__), { 0 } };

DEFINE_SPEC(dropwhile, Applied, ITERTOOL_FLAGS, APPLIED_SLOTS(dropwhile),
            { Py_tp_doc, "dropwhile(predicate, iterable, /)\n--\n\nDrop items from the iterable while predicate(item) is true.\n\n"
                         "Afterwards, return every element until the iterable is exhausted." })
DEFINE_SPEC(takewhile, Applied, ITERTOOL_FLAGS, APPLIED_SLOTS(takewhile),
            { Py_tp_doc, "takewhile(predicate, iterable, /)\n--\n\nReturn successive entries from an iterable as long as the predicate evaluates to true for each entry." })
DEFINE_SPEC(filterfalse, AppliedSmall, ITERTOOL_FLAGS, APPLIED_SLOTS(filterfalse),
            { Py_tp_doc, "filterfalse(function, iterable, /)\n--\n\nReturn those items of iterable for which function(item) is false.\n\n"
                         "If function is None, return the items that are false." })
DEFINE_SPEC(starmap, AppliedSmall, ITERTOOL_FLAGS, APPLIED_SLOTS(starmap),
            { Py_tp_doc, "starmap(function, iterable, /)\n--\n\nReturn an iterator whose values are returned from the function evaluated with an argument tuple taken from the given sequence." })

/* ---- compress --------------------------------------------------------------------------------------------------------------------------- */

typedef struct Compress {
    PyObject_HEAD
    PyObject *data, *selectors;
} Compress;

#define COMPRESS(o) ((Compress *)(o))
DEFINE_LIFE(compress, Compress, 2, (void)0, data, selectors)
SIGNATURE(compress_signature, "compress", KEYWORDS, "(data, selectors)");

static PyObject *compress_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *arg[2];
    if (args_bind_tuple(&compress_signature, args, kwargs, arg) < 0) return NULL;
    PyObject *data = PyObject_GetIter(arg[0]), *selectors = data ? PyObject_GetIter(arg[1]) : NULL;
    Compress *self = selectors ? COMPRESS(type->tp_alloc(type, 0)) : NULL;
    if (!self) {
        Py_XDECREF(data);
        Py_XDECREF(selectors);
        return NULL;
    }
    self->data = data;
    self->selectors = selectors;
    return (PyObject *)self;
}

static PyObject *compress_next(PyObject *o)
{
    Compress *self = COMPRESS(o);
    for (;;) {
        PyObject *datum = iterator_next(self->data), *selector;
        if (!datum) return NULL;
        if (!(selector = iterator_next(self->selectors))) {
            Py_DECREF(datum);
            return NULL;
        }
        int keep = PyObject_IsTrue(selector);
        Py_DECREF(selector);
        if (keep > 0) return datum;
        Py_DECREF(datum);
        if (keep < 0) return NULL;
    }
}

REDUCE(compress)
{
    if (itertools_warn_pickle() < 0) return NULL;
    return Py_BuildValue("O(OO)", Py_TYPE(self), COMPRESS(self)->data, COMPRESS(self)->selectors);
}

static PyMethodDef compress_methods[] = { METHOD(compress, __reduce__), { 0 } };
DEFINE_SPEC(compress, Compress, ITERTOOL_FLAGS, ITERATOR_SLOTS(compress),
            { Py_tp_doc, "compress(data, selectors)\n--\n\nReturn data elements corresponding to true selector elements.\n\n"
                         "Forms a shorter iterator from selected data elements using the selectors to\nchoose the data elements." })

/* ---- accumulate -------------------------------------------------------------------------------------------------------------------------- */

typedef struct Accumulate {
    PyObject_HEAD
    PyObject *total;                          /* NULL before the first item */
    PyObject *it, *function;                  /* function NULL: addition */
    PyObject *initial;                        /* None when there is none, or no more */
    void *unused;
} Accumulate;

#define ACCUMULATE(o) ((Accumulate *)(o))
DEFINE_LIFE(accumulate, Accumulate, 4, (void)0, total, it, function, initial)
SIGNATURE(accumulate_signature, "accumulate", KEYWORDS, "(iterable, func=None, *, initial=None)");

static PyObject *accumulate_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *arg[3];
    if (args_bind_tuple(&accumulate_signature, args, kwargs, arg) < 0) return NULL;
    PyObject *it = PyObject_GetIter(arg[0]);
    Accumulate *self = it ? ACCUMULATE(type->tp_alloc(type, 0)) : NULL;
    if (!self) {
        Py_XDECREF(it);
        return NULL;
    }
    self->it = it;
    self->function = arg[1] && arg[1] != Py_None ? Py_NewRef(arg[1]) : NULL;
    self->initial = Py_NewRef(arg[2] ? arg[2] : Py_None);
    return (PyObject *)self;
}

static PyObject *accumulate_next(PyObject *o)
{
    Accumulate *self = ACCUMULATE(o);
    if (self->initial != Py_None) {
        SET_FIELD(self->total, self->initial);
        self->initial = Py_NewRef(Py_None);
        return Py_NewRef(self->total);
    }
    PyObject *value = iterator_next(self->it);
    if (!value) return NULL;
    if (!self->total) {
        self->total = Py_NewRef(value);
        return value;
    }
    PyObject *total = Py_NewRef(self->total), *result;
    PyObject *pair[3] = { NULL, total, value };
    result = self->function ? PyObject_Vectorcall(self->function, pair + 1, 2 | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL)
                            : PyNumber_Add(total, value);
    Py_DECREF(total);
    Py_DECREF(value);
    if (!result) return NULL;
    SET_FIELD(self->total, Py_NewRef(result));
    return result;
}

REDUCE(accumulate)
{
    Accumulate *a = ACCUMULATE(self);
    ItertoolsState *state = itertools_state_of(Py_TYPE(self));
    PyObject *function = a->function ? a->function : Py_None, *it;
    if (!state || itertools_warn_pickle() < 0) return NULL;
    if (a->initial != Py_None) {
        if (!(it = PyObject_CallFunction((PyObject *)state->chain, "(O)O", a->initial, a->it))) return NULL;
        return Py_BuildValue("O(NO)O", Py_TYPE(self), it, function, Py_None);
    }
    if (a->total == Py_None) {                             /* None as the state would mean that there is no total */
        if (!(it = PyObject_CallFunction((PyObject *)state->chain, "(O)O", a->total, a->it))) return NULL;
        PyObject *again = PyObject_CallFunction((PyObject *)Py_TYPE(self), "NO", it, function);
        return again ? Py_BuildValue("O(NiO)", state->islice, again, 1, Py_None) : NULL;
    }
    if (!a->total) return Py_BuildValue("O(OO)", Py_TYPE(self), a->it, function);
    return Py_BuildValue("O(OO)O", Py_TYPE(self), a->it, function, a->total);
}

SETSTATE(accumulate)
{
    if (itertools_warn_pickle() < 0) return NULL;
    SET_FIELD(ACCUMULATE(self)->total, Py_NewRef(arg));
    Py_RETURN_NONE;
}

static PyMethodDef accumulate_methods[] = { METHOD(accumulate, __reduce__), METHOD(accumulate, __setstate__), { 0 } };
DEFINE_SPEC(accumulate, Accumulate, ITERTOOL_FLAGS, ITERATOR_SLOTS(accumulate),
            { Py_tp_doc, "accumulate(iterable, func=None, *, initial=None)\n--\n\nReturn series of accumulated sums." })
