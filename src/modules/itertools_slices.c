/* itertools: chain, islice, batched, pairwise, zip_longest: what cuts iterables up and puts them together. */
#include "modules/itertools.h"


/* ---- chain ---------------------------------------------------------------------------------------------------------------------- */

typedef struct Chain {
    PyObject_HEAD
    PyObject *source;                         /* iterator over iterables; NULL at the end */
    PyObject *active;                         /* iterator or NULL */
} Chain;

#define CHAIN(o) ((Chain *)(o))
DEFINE_LIFE(chain, Chain, 2, (void)0, source, active)

static PyObject *chain_make(PyTypeObject *type, PyObject *source)          /* steals */
{
    Chain *self = source ? CHAIN(type->tp_alloc(type, 0)) : NULL;
    if (!self) {
        Py_XDECREF(source);
        return NULL;
    }
    self->source = source;
    return (PyObject *)self;
}

static PyObject *chain_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    return no_keywords(type, "chain", kwargs) < 0 ? NULL : chain_make(type, PyObject_GetIter(args));
}

BUILTIN_O(chain, from_iterable, "($type, iterable, /)", "Alternative chain() constructor taking a single iterable argument that evaluates lazily.")
{
    return chain_make((PyTypeObject *)self, PyObject_GetIter(arg));
}

/* What is asked for an item is held: it may ask the chain for one, which then goes on to the next iterable. */
static PyObject *chain_next(PyObject *o)
{
    Chain *self = CHAIN(o);
    while (self->source) {
        if (!self->active) {
            PyObject *source = Py_NewRef(self->source), *iterable = PyIter_Next(source), *it = iterable ? PyObject_GetIter(iterable) : NULL;
            Py_DECREF(source);
            Py_XDECREF(iterable);
            SET_FIELD(self->active, it);
            if (!it) {
                Py_CLEAR(self->source);
                return NULL;
            }
            continue;
        }
        PyObject *active = Py_NewRef(self->active), *item = iterator_next(active);
        bool same = active == self->active;
        Py_DECREF(active);
        if (item) return item;
        if (iteration_ended() < 0) return NULL;            /* the rest remains */
        if (same) Py_CLEAR(self->active);
    }
    return NULL;
}

REDUCE(chain)
{
    Chain *c = CHAIN(self);
    if (itertools_warn_pickle() < 0) return NULL;
    if (!c->source) return Py_BuildValue("O()", Py_TYPE(self));
    if (c->active) return Py_BuildValue("O()(OO)", Py_TYPE(self), c->source, c->active);
    return Py_BuildValue("O()(O)", Py_TYPE(self), c->source);
}

SETSTATE(chain)
{
    PyObject *source, *active = NULL;
    if (itertools_warn_pickle() < 0) return NULL;
    if (!PyTuple_Check(arg)) {
        PyErr_SetString(PyExc_TypeError, "state is not a tuple");
        return NULL;
    }
    if (!PyArg_ParseTuple(arg, "O|O", &source, &active)) return NULL;
    if (!PyIter_Check(source) || (active && !PyIter_Check(active))) {
        PyErr_SetString(PyExc_TypeError, "Arguments must be iterators.");
        return NULL;
    }
    SET_FIELD(CHAIN(self)->source, Py_NewRef(source));
    SET_FIELD(CHAIN(self)->active, Py_XNewRef(active));
    Py_RETURN_NONE;
}

static PyMethodDef chain_methods[] = {
    METHOD_CLASS(chain, from_iterable), METHOD(chain, __reduce__), METHOD(chain, __setstate__), CLASS_GETITEM_METHOD, { 0 },
};
DEFINE_SPEC(chain, Chain, ITERTOOL_FLAGS, ITERATOR_SLOTS(chain),
            { Py_tp_doc, "chain(*iterables)\n--\n\nReturn a chain object whose .__next__() method returns elements from the\n"
                         "first iterable until it is exhausted, then elements from the next\niterable, until all of the iterables are exhausted." })

/* ---- islice ----------------------------------------------------------------------------------------------------------------------- */

typedef struct Islice {
    PyObject_HEAD
    PyObject *it;                             /* NULL at the end */
    Py_ssize_t next, stop, step, count;       /* stop -1: none; count: items taken so far */
} Islice;

#define ISLICE(o) ((Islice *)(o))
DEFINE_LIFE(islice, Islice, 1, (void)0, it)

/* None, or an int from low up. -1 on error, with message. */
static int slice_argument(PyObject *o, Py_ssize_t *value, Py_ssize_t low, const char *message)
{
    if (o == Py_None) return 0;
    *value = PyNumber_AsSsize_t(o, PyExc_OverflowError);
    if (*value >= low) return 0;
    if (PyErr_Occurred()) PyErr_Clear();
    PyErr_SetString(PyExc_ValueError, message);
    return -1;
}

static PyObject *islice_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static const char stop_message[] = "Stop argument for islice() must be None or an integer: 0 <= x <= sys.maxsize.";
    static const char message[] = "Indices for islice() must be None or an integer: 0 <= x <= sys.maxsize.";
    PyObject *iterable, *a1 = NULL, *a2 = NULL, *a3 = NULL;
    Py_ssize_t start = 0, stop = -1, step = 1;
    if (no_keywords(type, "islice", kwargs) < 0 || !PyArg_UnpackTuple(args, "islice", 2, 4, &iterable, &a1, &a2, &a3)) return NULL;
    if (!a2) {
        if (slice_argument(a1, &stop, 0, stop_message) < 0) return NULL;
    }
    else {
        if (slice_argument(a1, &start, PY_SSIZE_T_MIN, message) < 0) return NULL;
        if (slice_argument(a2, &stop, 0, stop_message) < 0) return NULL;
        if (PyErr_Occurred()) PyErr_Clear();
        if (start < 0) {
            PyErr_SetString(PyExc_ValueError, message);
            return NULL;
        }
    }
    if (a3 && slice_argument(a3, &step, 1, "Step for islice() must be a positive integer or None.") < 0) return NULL;
    PyObject *it = PyObject_GetIter(iterable);
    Islice *self = it ? ISLICE(type->tp_alloc(type, 0)) : NULL;
    if (!self) {
        Py_XDECREF(it);
        return NULL;
    }
    self->it = it;
    self->next = start;
    self->stop = stop;
    self->step = step;
    return (PyObject *)self;
}

static PyObject *islice_next(PyObject *o)
{
    Islice *self = ISLICE(o);
    if (!self->it) return NULL;
    PyObject *it = Py_NewRef(self->it), *item;
    while (self->count < self->next) {
        if (!(item = iterator_next(it))) goto end;
        Py_DECREF(item);
        self->count++;
    }
    if (self->stop != -1 && self->count >= self->stop) goto end;
    if (!(item = iterator_next(it))) goto end;
    self->count++;
    Py_ssize_t next;
    bool overflow = __builtin_add_overflow(self->next, self->step, &next);
    self->next = overflow || (self->stop != -1 && next > self->stop) ? self->stop : next;
    Py_DECREF(it);
    return item;
end:
    Py_DECREF(it);
    Py_CLEAR(self->it);
    return NULL;
}

REDUCE(islice)
{
    Islice *s = ISLICE(self);
    if (itertools_warn_pickle() < 0) return NULL;
    if (!s->it) {
        PyObject *empty = PyList_New(0), *it = empty ? PyObject_GetIter(empty) : NULL;
        Py_XDECREF(empty);
        return it ? Py_BuildValue("O(Nn)n", Py_TYPE(self), it, (Py_ssize_t)0, (Py_ssize_t)0) : NULL;
    }
    PyObject *stop = s->stop == -1 ? Py_NewRef(Py_None) : PyLong_FromSsize_t(s->stop);
    return stop ? Py_BuildValue("O(OnNn)n", Py_TYPE(self), s->it, s->next, stop, s->step, s->count) : NULL;
}

SETSTATE(islice)
{
    if (itertools_warn_pickle() < 0) return NULL;
    Py_ssize_t count = PyLong_AsSsize_t(arg);
    if (count == -1 && PyErr_Occurred()) return NULL;
    ISLICE(self)->count = count;
    Py_RETURN_NONE;
}

static PyMethodDef islice_methods[] = { METHOD(islice, __reduce__), METHOD(islice, __setstate__), { 0 } };
DEFINE_SPEC(islice, Islice, ITERTOOL_FLAGS, ITERATOR_SLOTS(islice),
            { Py_tp_doc, "islice(iterable, stop) --> islice object\nislice(iterable, start, stop[, step]) --> islice object\n\n"
                         "Return an iterator over the items of a slice of the iterable. Items before\nstart are skipped; the slice is not copied." })

/* ---- batched ------------------------------------------------------------------------------------------------------------------------ */

typedef struct Batched {
    PyObject_HEAD
    PyObject *it;                             /* NULL at the end */
    Py_ssize_t size;
    bool strict;
} Batched;

#define BATCHED(o) ((Batched *)(o))
DEFINE_LIFE(batched, Batched, 1, (void)0, it)
SIGNATURE(batched_signature, "batched", KEYWORDS, "(iterable, n, *, strict=False)");

static PyObject *batched_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *arg[3], *index;
    if (args_bind_tuple(&batched_signature, args, kwargs, arg) < 0 || !(index = PyNumber_Index(arg[1]))) return NULL;
    Py_ssize_t n = PyLong_AsSsize_t(index);
    Py_DECREF(index);
    if (n == -1 && PyErr_Occurred()) return NULL;
    int strict = arg[2] ? PyObject_IsTrue(arg[2]) : 0;
    if (strict < 0) return NULL;
    if (n < 1) {
        PyErr_SetString(PyExc_ValueError, "n must be at least one");
        return NULL;
    }
    PyObject *it = PyObject_GetIter(arg[0]);
    Batched *self = it ? BATCHED(type->tp_alloc(type, 0)) : NULL;
    if (!self) {
        Py_XDECREF(it);
        return NULL;
    }
    self->it = it;
    self->size = n;
    self->strict = strict;
    return (PyObject *)self;
}

static PyObject *batched_next(PyObject *o)
{
    Batched *self = BATCHED(o);
    if (!self->it) return NULL;
    PyObject *it = Py_NewRef(self->it), *batch = PyTuple_New(self->size);
    Py_ssize_t got = 0;
    for (; batch && got < self->size; got++) {
        PyObject *item = iterator_next(it);
        if (!item) break;
        PyTuple_SET_ITEM(batch, got, item);
    }
    Py_DECREF(it);
    if (!batch || got == self->size) return batch;
    int status = iteration_ended();
    Py_CLEAR(self->it);
    if (status < 0 || got == 0) goto nothing;
    if (self->strict) {
        PyErr_SetString(PyExc_ValueError, "batched(): incomplete batch");
        goto nothing;
    }
    _PyTuple_Resize(&batch, got);
    return batch;
nothing:
    Py_DECREF(batch);
    return NULL;
}

static PyMethodDef batched_methods[] = { { 0 } };
DEFINE_SPEC(batched, Batched, ITERTOOL_FLAGS, ITERATOR_SLOTS(batched),
            { Py_tp_doc, "batched(iterable, n, *, strict=False)\n--\n\nBatch data into tuples of length n. The last batch may be shorter than n.\n\n"
                         "    >>> for batch in batched('ABCDEFG', 3):\n    ...     print(batch)\n    ...\n    ('A', 'B', 'C')\n"
                         "    ('D', 'E', 'F')\n    ('G',)\n\nIf \"strict\" is True, a last batch that is shorter is a ValueError." })

/* ---- pairwise ------------------------------------------------------------------------------------------------------------------------ */

typedef struct Pairwise {
    PyObject_HEAD
    PyObject *it;                             /* NULL at the end */
    PyObject *old;
    PyObject *result;                         /* pair to reuse */
} Pairwise;

#define PAIRWISE(o) ((Pairwise *)(o))
DEFINE_LIFE(pairwise, Pairwise, 3, (void)0, it, old, result)
SIGNATURE(pairwise_signature, "pairwise", POSITIONAL, "(iterable, /)");

static PyObject *pairwise_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *arg[1];
    if (no_keywords(type, "pairwise", kwargs) < 0 || args_bind_tuple(&pairwise_signature, args, NULL, arg) < 0) return NULL;
    PyObject *it = PyObject_GetIter(arg[0]), *result = it ? PyTuple_Pack(2, Py_None, Py_None) : NULL;
    Pairwise *self = result ? PAIRWISE(type->tp_alloc(type, 0)) : NULL;
    if (!self) {
        Py_XDECREF(it);
        Py_XDECREF(result);
        return NULL;
    }
    self->it = it;
    self->result = result;
    return (PyObject *)self;
}

static PyObject *pairwise_next(PyObject *o)
{
    Pairwise *self = PAIRWISE(o);
    if (!self->it) return NULL;
    PyObject *it = Py_NewRef(self->it), *old = NULL, *new = NULL, *result = NULL;
    if (!self->old) {
        PyObject *first = iterator_next(it);
        SET_FIELD(self->old, first);
        if (!first) {
            Py_CLEAR(self->it);
            goto done;
        }
        if (!self->it) {                                   /* ended by a call of itself */
            Py_CLEAR(self->old);
            goto done;
        }
    }
    old = Py_NewRef(self->old);
    if (!(new = iterator_next(it))) {
        Py_CLEAR(self->it);
        Py_CLEAR(self->old);
        goto done;
    }
    result = self->result;
    if (Py_REFCNT(result) == 1) {
        PyObject *last_old = PyTuple_GET_ITEM(result, 0), *last_new = PyTuple_GET_ITEM(result, 1);
        Py_INCREF(result);
        PyTuple_SET_ITEM(result, 0, Py_NewRef(old));
        PyTuple_SET_ITEM(result, 1, Py_NewRef(new));
        if (!PyObject_GC_IsTracked(result)) PyObject_GC_Track(result);
        Py_DECREF(last_old);
        Py_DECREF(last_new);
    }
    else result = PyTuple_Pack(2, old, new);
    SET_FIELD(self->old, Py_NewRef(new));
done:
    Py_XDECREF(old);
    Py_XDECREF(new);
    Py_DECREF(it);
    return result;
}

static PyMethodDef pairwise_methods[] = { { 0 } };
DEFINE_SPEC(pairwise, Pairwise, ITERTOOL_FLAGS, ITERATOR_SLOTS(pairwise),
            { Py_tp_doc, "pairwise(iterable, /)\n--\n\nReturn an iterator of overlapping pairs taken from the input iterator.\n\n"
                         "    s -> (s0,s1), (s1,s2), (s2, s3), ..." })

/* ---- zip_longest ----------------------------------------------------------------------------------------------------------------------- */

typedef struct ZipLongest {
    PyObject_HEAD
    Py_ssize_t size, active;                  /* iterators, and how many have not ended */
    PyObject *iterators;                      /* tuple; an iterator that ended is NULL */
    PyObject *result, *fill;
} ZipLongest;

#define ZIP(o) ((ZipLongest *)(o))
DEFINE_LIFE(zip_longest, ZipLongest, 3, (void)0, iterators, result, fill)

static PyObject *zip_longest_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *fill = Py_None, *iterators = NULL, *result = NULL;
    if (kwargs && PyDict_GET_SIZE(kwargs)) {
        fill = PyDict_GetItemString(kwargs, "fillvalue");
        if (!fill || PyDict_GET_SIZE(kwargs) > 1) {
            PyErr_SetString(PyExc_TypeError, "zip_longest() got an unexpected keyword argument");
            return NULL;
        }
    }
    Py_ssize_t n = PyTuple_GET_SIZE(args);
    if (!(iterators = PyTuple_New(n)) || !(result = PyTuple_New(n))) goto fail;
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *it = PyObject_GetIter(PyTuple_GET_ITEM(args, i));
        if (!it) goto fail;
        PyTuple_SET_ITEM(iterators, i, it);
        PyTuple_SET_ITEM(result, i, Py_NewRef(Py_None));
    }
    ZipLongest *self = ZIP(type->tp_alloc(type, 0));
    if (!self) goto fail;
    self->size = self->active = n;
    self->iterators = iterators;
    self->result = result;
    self->fill = Py_NewRef(fill);
    return (PyObject *)self;
fail:
    Py_XDECREF(iterators);
    Py_XDECREF(result);
    return NULL;
}

/* The next item of iterator i or the fill value; NULL when all have ended or one failed. */
static PyObject *zip_longest_item(ZipLongest *self, Py_ssize_t i)
{
    PyObject *it = Py_XNewRef(PyTuple_GET_ITEM(self->iterators, i)), *item;
    if (!it) return Py_NewRef(self->fill);
    item = PyIter_Next(it);
    if (!item && PyErr_Occurred()) self->active = 0;
    else if (!item) {
        if (PyTuple_GET_ITEM(self->iterators, i) == it) {  /* not yet, by a call from inside the iterator */
            PyTuple_SET_ITEM(self->iterators, i, NULL);
            Py_DECREF(it);
            if (self->active > 0) self->active--;
        }
        if (self->active) item = Py_NewRef(self->fill);
    }
    Py_DECREF(it);
    return item;
}

static PyObject *zip_longest_next(PyObject *o)
{
    ZipLongest *self = ZIP(o);
    PyObject *result = self->result;
    if (self->size == 0 || self->active == 0) return NULL;
    bool reuse = Py_REFCNT(result) == 1;
    if (reuse) Py_INCREF(result);
    else if (!(result = PyTuple_New(self->size))) return NULL;
    for (Py_ssize_t i = 0; i < self->size; i++) {
        PyObject *item = zip_longest_item(self, i), *old;
        if (!item) {
            Py_DECREF(result);
            return NULL;
        }
        old = PyTuple_GET_ITEM(result, i);
        PyTuple_SET_ITEM(result, i, item);
        Py_XDECREF(old);
    }
    if (reuse && !PyObject_GC_IsTracked(result)) PyObject_GC_Track(result);
    return result;
}

REDUCE(zip_longest)
{
    if (itertools_warn_pickle() < 0) return NULL;
    Py_ssize_t n = ZIP(self)->size;
    PyObject *args = PyTuple_New(n), *empty = args ? PyTuple_New(0) : NULL;
    if (!empty) {
        Py_XDECREF(args);
        return NULL;
    }
    for (Py_ssize_t i = 0; i < n; i++) {                   /* what has ended gives nothing */
        PyObject *it = PyTuple_GET_ITEM(ZIP(self)->iterators, i);
        PyTuple_SET_ITEM(args, i, Py_NewRef(it ? it : empty));
    }
    Py_DECREF(empty);
    return Py_BuildValue("ONO", Py_TYPE(self), args, ZIP(self)->fill);
}

SETSTATE(zip_longest)
{
    if (itertools_warn_pickle() < 0) return NULL;
    SET_FIELD(ZIP(self)->fill, Py_NewRef(arg));
    Py_RETURN_NONE;
}

static PyMethodDef zip_longest_methods[] = { METHOD(zip_longest, __reduce__), METHOD(zip_longest, __setstate__), { 0 } };
DEFINE_SPEC(zip_longest, ZipLongest, ITERTOOL_FLAGS, ITERATOR_SLOTS(zip_longest),
            { Py_tp_doc, "zip_longest(*iterables, fillvalue=None)\n--\n\nReturn a zip_longest object whose .__next__() method returns a tuple where\n"
                         "the i-th element comes from the i-th iterable argument. It goes on until the\nlongest iterable is exhausted; those that ended "
                         "before give the fillvalue." })
