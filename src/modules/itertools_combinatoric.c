/* itertools: product, permutations, combinations, combinations_with_replacement.
 *
 * Each keeps the indices of the selection given out last, and the tuple made from it, which is changed in place while nobody else holds
 * it. result is NULL before the first step. */
#include "modules/itertools.h"


/* Replaces item i of a tuple that is ours alone. */
static void tuple_replace(PyObject *tuple, Py_ssize_t i, PyObject *item)
{
    PyObject *old = PyTuple_GET_ITEM(tuple, i);
    PyTuple_SET_ITEM(tuple, i, Py_NewRef(item));
    Py_DECREF(old);
}

static Py_ssize_t *indices_new(Py_ssize_t n)
{
    Py_ssize_t *indices = (size_t)n < (size_t)PY_SSIZE_T_MAX / sizeof(Py_ssize_t) ? PyMem_Malloc((size_t)n * sizeof(Py_ssize_t) + 1) : NULL;
    if (!indices) PyErr_NoMemory();
    return indices;
}

static PyObject *indices_tuple(const Py_ssize_t *indices, Py_ssize_t n)
{
    PyObject *tuple = PyTuple_New(n);
    for (Py_ssize_t i = 0; tuple && i < n; i++) {
        PyObject *number = PyLong_FromSsize_t(indices[i]);
        if (number) PyTuple_SET_ITEM(tuple, i, number);
        else Py_CLEAR(tuple);
    }
    return tuple;
}

/* Index i of a pickled state, moved inside [low, high]. -1 with an exception. */
static int state_index(PyObject *state, Py_ssize_t i, Py_ssize_t low, Py_ssize_t high, Py_ssize_t *out)
{
    Py_ssize_t index = PyLong_AsSsize_t(PyTuple_GET_ITEM(state, i));
    if (index == -1 && PyErr_Occurred()) return -1;
    *out = index < low ? low : index > high ? high : index;
    return 0;
}

/* A tuple of pool[indices[0 .. r)]. */
static PyObject *selection(PyObject *pool, const Py_ssize_t *indices, Py_ssize_t r)
{
    PyObject *tuple = PyTuple_New(r);
    for (Py_ssize_t i = 0; tuple && i < r; i++) PyTuple_SET_ITEM(tuple, i, Py_NewRef(PyTuple_GET_ITEM(pool, indices[i])));
    return tuple;
}

static PyObject *invalid_state(void)
{
    PyErr_SetString(PyExc_ValueError, "invalid arguments");
    return NULL;
}

/* ---- product ---------------------------------------------------------------------------------------------------------------------- */

typedef struct Product {
    PyObject_HEAD
    PyObject *pools;                          /* tuple of tuples */
    Py_ssize_t *indices;
    PyObject *result;
    int stopped;
} Product;

#define PRODUCT(o) ((Product *)(o))
DEFINE_LIFE(product, Product, 2, PyMem_Free(self->indices), pools, result)
SIGNATURE(product_signature, "product", KEYWORDS, "(*, repeat=1)");

static PyObject *product_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *arg[1] = { NULL }, *none = NULL, *pools = NULL;
    Py_ssize_t repeat = 1, *indices = NULL;
    if (kwargs) {
        if (!(none = PyTuple_New(0))) return NULL;
        int status = args_bind_tuple(&product_signature, none, kwargs, arg);
        Py_DECREF(none);
        if (status < 0) return NULL;
    }
    if (arg[0]) {
        PyObject *index = PyNumber_Index(arg[0]);
        if (!index) return NULL;
        repeat = PyLong_AsSsize_t(index);
        Py_DECREF(index);
        if (repeat == -1 && PyErr_Occurred()) return NULL;
        if (repeat < 0) {
            PyErr_SetString(PyExc_ValueError, "repeat argument cannot be negative");
            return NULL;
        }
    }
    Py_ssize_t given = repeat ? PyTuple_GET_SIZE(args) : 0, n;
    if (given && repeat > PY_SSIZE_T_MAX / given / (Py_ssize_t)sizeof(Py_ssize_t)) {
        PyErr_SetString(PyExc_OverflowError, "repeat argument too large");
        return NULL;
    }
    n = given * repeat;
    if (!(indices = indices_new(n)) || !(pools = PyTuple_New(n))) goto fail;
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *pool = i < given ? PySequence_Tuple(PyTuple_GET_ITEM(args, i)) : Py_NewRef(PyTuple_GET_ITEM(pools, i - given));
        if (!pool) goto fail;
        PyTuple_SET_ITEM(pools, i, pool);
        indices[i] = 0;
    }
    Product *self = PRODUCT(type->tp_alloc(type, 0));
    if (!self) goto fail;
    self->pools = pools;
    self->indices = indices;
    return (PyObject *)self;
fail:
    PyMem_Free(indices);
    Py_XDECREF(pools);
    return NULL;
}

static PyObject *product_next(PyObject *o)
{
    Product *self = PRODUCT(o);
    Py_ssize_t n = PyTuple_GET_SIZE(self->pools);
    if (self->stopped) return NULL;
    if (!self->result) {
        PyObject *first = PyTuple_New(n);
        if (!first) goto stop;
        for (Py_ssize_t i = 0; i < n; i++) {
            PyObject *pool = PyTuple_GET_ITEM(self->pools, i);
            if (PyTuple_GET_SIZE(pool) == 0) {
                Py_DECREF(first);
                goto stop;
            }
            PyTuple_SET_ITEM(first, i, Py_NewRef(PyTuple_GET_ITEM(pool, 0)));
        }
        self->result = first;
        return Py_NewRef(first);
    }
    PyObject *result = itertools_reuse(&self->result);
    if (!result) goto stop;
    Py_DECREF(result);                                     /* self->result holds it */
    Py_ssize_t i = n - 1;
    for (; i >= 0; i--) {                                  /* as an odometer turns */
        PyObject *pool = PyTuple_GET_ITEM(self->pools, i);
        bool over = ++self->indices[i] == PyTuple_GET_SIZE(pool);
        if (over) self->indices[i] = 0;
        tuple_replace(result, i, PyTuple_GET_ITEM(pool, self->indices[i]));
        if (!over) break;
    }
    if (i >= 0) return Py_NewRef(result);
stop:
    self->stopped = 1;
    return NULL;
}

REDUCE(product)
{
    Product *p = PRODUCT(self);
    if (itertools_warn_pickle() < 0) return NULL;
    if (p->stopped) return Py_BuildValue("O((),)", Py_TYPE(self));
    if (!p->result) return Py_BuildValue("OO", Py_TYPE(self), p->pools);
    PyObject *indices = indices_tuple(p->indices, PyTuple_GET_SIZE(p->pools));
    return indices ? Py_BuildValue("OON", Py_TYPE(self), p->pools, indices) : NULL;
}

SETSTATE(product)
{
    Product *p = PRODUCT(self);
    Py_ssize_t n = PyTuple_GET_SIZE(p->pools);
    if (itertools_warn_pickle() < 0) return NULL;
    if (!PyTuple_Check(arg) || PyTuple_GET_SIZE(arg) != n) return invalid_state();
    for (Py_ssize_t i = 0; i < n; i++) {
        Py_ssize_t size = PyTuple_GET_SIZE(PyTuple_GET_ITEM(p->pools, i));
        if (size == 0) {
            p->stopped = 1;
            Py_RETURN_NONE;
        }
        if (state_index(arg, i, 0, size - 1, &p->indices[i]) < 0) return NULL;
    }
    PyObject *result = PyTuple_New(n);
    if (!result) return NULL;
    for (Py_ssize_t i = 0; i < n; i++)
        PyTuple_SET_ITEM(result, i, Py_NewRef(PyTuple_GET_ITEM(PyTuple_GET_ITEM(p->pools, i), p->indices[i])));
    SET_FIELD(p->result, result);
    Py_RETURN_NONE;
}

static PyObject *size_with(PyObject *self, Py_ssize_t numbers)
{
    return PyLong_FromSsize_t(Py_TYPE(self)->tp_basicsize + numbers * (Py_ssize_t)sizeof(Py_ssize_t));
}

SIZEOF(product) { return size_with(self, PyTuple_GET_SIZE(PRODUCT(self)->pools)); }

static PyMethodDef product_methods[] = { METHOD(product, __reduce__), METHOD(product, __setstate__), METHOD(product, __sizeof__), { 0 } };
DEFINE_SPEC(product, Product, ITERTOOL_FLAGS, ITERATOR_SLOTS(product),
            { Py_tp_doc, "product(*iterables, repeat=1)\n--\n\nCartesian product of input iterables.  Equivalent to nested for-loops.\n\n"
                         "product(A, B) gives the same as: ((x,y) for x in A for y in B). The rightmost\nelement advances with every step.\n\n"
                         "For the product of an iterable with itself, give the number of repetitions\nas the keyword argument repeat: product(A, repeat=4)." })

/* ---- combinations ------------------------------------------------------------------------------------------------------------------- */

typedef struct Combinations {
    PyObject_HEAD
    PyObject *pool;
    Py_ssize_t *indices;                      /* r of them */
    PyObject *result;
    Py_ssize_t r;
    int stopped;
} Combinations;

#define COMBINATIONS(o) ((Combinations *)(o))
DEFINE_LIFE(combinations, Combinations, 2, PyMem_Free(self->indices), pool, result)
SIGNATURE(combinations_signature, "combinations", KEYWORDS, "(iterable, r)");
SIGNATURE(replacement_signature, "combinations_with_replacement", KEYWORDS, "(iterable, r)");

static PyObject *combinations_make(PyTypeObject *type, Signature *signature, PyObject *args, PyObject *kwargs, bool replacement)
{
    PyObject *arg[2], *index, *pool = NULL;
    if (args_bind_tuple(signature, args, kwargs, arg) < 0 || !(index = PyNumber_Index(arg[1]))) return NULL;
    Py_ssize_t r = PyLong_AsSsize_t(index), *indices = NULL;
    Py_DECREF(index);
    if ((r == -1 && PyErr_Occurred()) || !(pool = PySequence_Tuple(arg[0]))) return NULL;
    Py_ssize_t n = PyTuple_GET_SIZE(pool);
    if (r < 0) {
        PyErr_SetString(PyExc_ValueError, "r must be non-negative");
        goto fail;
    }
    if (!(indices = indices_new(r))) goto fail;
    for (Py_ssize_t i = 0; i < r; i++) indices[i] = replacement ? 0 : i;
    Combinations *self = COMBINATIONS(type->tp_alloc(type, 0));
    if (!self) goto fail;
    self->pool = pool;
    self->indices = indices;
    self->r = r;
    self->stopped = replacement ? n == 0 && r > 0 : r > n;
    return (PyObject *)self;
fail:
    Py_DECREF(pool);
    PyMem_Free(indices);
    return NULL;
}

static PyObject *combinations_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    return combinations_make(type, &combinations_signature, args, kwargs, false);
}

/* The rightmost index that can still grow does, and those behind it start again as low as they may. */
static PyObject *combinations_step(Combinations *self, bool replacement)
{
    Py_ssize_t n = PyTuple_GET_SIZE(self->pool), r = self->r, *indices = self->indices, i;
    if (self->stopped) return NULL;
    if (!self->result) {
        if (!(self->result = selection(self->pool, indices, r))) goto stop;
        return Py_NewRef(self->result);
    }
    PyObject *result = itertools_reuse(&self->result);
    if (!result) goto stop;
    Py_DECREF(result);
    for (i = r - 1; i >= 0 && indices[i] == (replacement ? n - 1 : i + n - r); i--) {}
    if (i < 0) goto stop;
    Py_ssize_t index = ++indices[i];
    for (Py_ssize_t k = i; k < r; k++) {
        if (k > i) indices[k] = replacement ? index : indices[k - 1] + 1;
        tuple_replace(result, k, PyTuple_GET_ITEM(self->pool, indices[k]));
    }
    return Py_NewRef(result);
stop:
    self->stopped = 1;
    return NULL;
}

static PyObject *combinations_next(PyObject *o) { return combinations_step(COMBINATIONS(o), false); }

static PyObject *combinations_state(PyObject *self)
{
    Combinations *c = COMBINATIONS(self);
    if (itertools_warn_pickle() < 0) return NULL;
    if (c->stopped) return Py_BuildValue("O(()n)", Py_TYPE(self), c->r);
    if (!c->result) return Py_BuildValue("O(On)", Py_TYPE(self), c->pool, c->r);
    PyObject *indices = indices_tuple(c->indices, c->r);
    return indices ? Py_BuildValue("O(On)N", Py_TYPE(self), c->pool, c->r, indices) : NULL;
}

static PyObject *combinations_restore(PyObject *self, PyObject *state, bool replacement)
{
    Combinations *c = COMBINATIONS(self);
    Py_ssize_t n = PyTuple_GET_SIZE(c->pool);
    if (itertools_warn_pickle() < 0) return NULL;
    if (!PyTuple_Check(state) || PyTuple_GET_SIZE(state) != c->r || (replacement ? n == 0 && c->r : c->r > n)) return invalid_state();
    for (Py_ssize_t i = 0; i < c->r; i++)
        if (state_index(state, i, 0, replacement ? n - 1 : i + n - c->r, &c->indices[i]) < 0) return NULL;
    PyObject *result = selection(c->pool, c->indices, c->r);
    if (!result) return NULL;
    SET_FIELD(c->result, result);
    Py_RETURN_NONE;
}

REDUCE(combinations) { return combinations_state(self); }
SETSTATE(combinations) { return combinations_restore(self, arg, false); }
SIZEOF(combinations) { return size_with(self, COMBINATIONS(self)->r); }

static PyMethodDef combinations_methods[] = {
    METHOD(combinations, __reduce__), METHOD(combinations, __setstate__), METHOD(combinations, __sizeof__), { 0 },
};
DEFINE_SPEC(combinations, Combinations, ITERTOOL_FLAGS, ITERATOR_SLOTS(combinations),
            { Py_tp_doc, "combinations(iterable, r)\n--\n\nReturn successive r-length combinations of elements in the iterable.\n\n"
                         "combinations(range(4), 3) --> (0,1,2), (0,1,3), (0,2,3), (1,2,3)" })

static PyObject *replacement_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    return combinations_make(type, &replacement_signature, args, kwargs, true);
}
static PyObject *replacement_next(PyObject *o) { return combinations_step(COMBINATIONS(o), true); }
SETSTATE(replacement) { return combinations_restore(self, arg, true); }

#define replacement_dealloc combinations_dealloc
#define replacement_traverse combinations_traverse
#define replacement_clear combinations_clear
static PyMethodDef replacement_methods[] = {
    METHOD(combinations, __reduce__), METHOD(replacement, __setstate__), METHOD(combinations, __sizeof__), { 0 },
};
DEFINE_SPEC(combinations_with_replacement, Combinations, ITERTOOL_FLAGS, ITERATOR_SLOTS(replacement),
            { Py_tp_doc, "combinations_with_replacement(iterable, r)\n--\n\nReturn successive r-length combinations of elements in the iterable allowing individual elements to have successive repeats.\n\n"
                         "combinations_with_replacement('ABC', 2) --> ('A','A'), ('A','B'), ('A','C'), ('B','B'), ('B','C'), ('C','C')" })

/* ---- permutations --------------------------------------------------------------------------------------------------------------------- */

typedef struct Permutations {
    PyObject_HEAD
    PyObject *pool;
    Py_ssize_t *indices;                      /* n, all of the pool's; the first r are the selection */
    Py_ssize_t *cycles;                       /* r counters: how many items are left for place i, itself included */
    PyObject *result;
    Py_ssize_t r;
    int stopped;
} Permutations;

#define PERMUTATIONS(o) ((Permutations *)(o))
DEFINE_LIFE(permutations, Permutations, 2, (PyMem_Free(self->indices), PyMem_Free(self->cycles)), pool, result)
SIGNATURE(permutations_signature, "permutations", KEYWORDS, "(iterable, r=None)");

static PyObject *permutations_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *arg[2], *pool;
    Py_ssize_t *indices = NULL, *cycles = NULL;
    if (args_bind_tuple(&permutations_signature, args, kwargs, arg) < 0 || !(pool = PySequence_Tuple(arg[0]))) return NULL;
    Py_ssize_t n = PyTuple_GET_SIZE(pool), r = n;
    if (arg[1] && arg[1] != Py_None) {
        if (!PyLong_Check(arg[1])) {
            PyErr_SetString(PyExc_TypeError, "Expected int as r");
            goto fail;
        }
        r = PyLong_AsSsize_t(arg[1]);
        if (r == -1 && PyErr_Occurred()) goto fail;
    }
    if (r < 0) {
        PyErr_SetString(PyExc_ValueError, "r must be non-negative");
        goto fail;
    }
    if (!(indices = indices_new(n)) || !(cycles = indices_new(r))) goto fail;
    for (Py_ssize_t i = 0; i < n; i++) indices[i] = i;
    for (Py_ssize_t i = 0; i < r; i++) cycles[i] = n - i;
    Permutations *self = PERMUTATIONS(type->tp_alloc(type, 0));
    if (!self) goto fail;
    self->pool = pool;
    self->indices = indices;
    self->cycles = cycles;
    self->r = r;
    self->stopped = r > n;
    return (PyObject *)self;
fail:
    Py_DECREF(pool);
    PyMem_Free(indices);
    PyMem_Free(cycles);
    return NULL;
}

static PyObject *permutations_next(PyObject *o)
{
    Permutations *self = PERMUTATIONS(o);
    Py_ssize_t n = PyTuple_GET_SIZE(self->pool), r = self->r, *indices = self->indices, *cycles = self->cycles, i;
    if (self->stopped) return NULL;
    if (!self->result) {
        if (!(self->result = selection(self->pool, indices, r))) goto stop;
        return Py_NewRef(self->result);
    }
    if (n == 0) goto stop;
    PyObject *result = itertools_reuse(&self->result);
    if (!result) goto stop;
    Py_DECREF(result);
    for (i = r - 1; i >= 0; i--) {
        if (--cycles[i] == 0) {                            /* place i has had all: its item goes to the end */
            Py_ssize_t index = indices[i];
            memmove(indices + i, indices + i + 1, (size_t)(n - 1 - i) * sizeof(Py_ssize_t));
            indices[n - 1] = index;
            cycles[i] = n - i;
            continue;
        }
        Py_ssize_t k = n - cycles[i], index = indices[i];
        indices[i] = indices[k];
        indices[k] = index;
        for (k = i; k < r; k++) tuple_replace(result, k, PyTuple_GET_ITEM(self->pool, indices[k]));
        return Py_NewRef(result);
    }
stop:
    self->stopped = 1;
    return NULL;
}

REDUCE(permutations)
{
    Permutations *p = PERMUTATIONS(self);
    if (itertools_warn_pickle() < 0) return NULL;
    if (p->stopped) return Py_BuildValue("O(()n)", Py_TYPE(self), p->r);
    if (!p->result) return Py_BuildValue("O(On)", Py_TYPE(self), p->pool, p->r);
    PyObject *indices = indices_tuple(p->indices, PyTuple_GET_SIZE(p->pool)), *cycles = indices ? indices_tuple(p->cycles, p->r) : NULL;
    if (!cycles) {
        Py_XDECREF(indices);
        return NULL;
    }
    return Py_BuildValue("O(On)(NN)", Py_TYPE(self), p->pool, p->r, indices, cycles);
}

SETSTATE(permutations)
{
    Permutations *p = PERMUTATIONS(self);
    PyObject *indices, *cycles;
    Py_ssize_t n = PyTuple_GET_SIZE(p->pool);
    if (itertools_warn_pickle() < 0) return NULL;
    if (!PyTuple_Check(arg)) {
        PyErr_SetString(PyExc_TypeError, "state is not a tuple");
        return NULL;
    }
    if (!PyArg_ParseTuple(arg, "O!O!", &PyTuple_Type, &indices, &PyTuple_Type, &cycles)) return NULL;
    if (PyTuple_GET_SIZE(indices) != n || PyTuple_GET_SIZE(cycles) != p->r || p->r > n) return invalid_state();
    for (Py_ssize_t i = 0; i < n; i++)
        if (state_index(indices, i, 0, n - 1, &p->indices[i]) < 0) return NULL;
    for (Py_ssize_t i = 0; i < p->r; i++)
        if (state_index(cycles, i, 1, n - i, &p->cycles[i]) < 0) return NULL;
    PyObject *result = selection(p->pool, p->indices, p->r);
    if (!result) return NULL;
    SET_FIELD(p->result, result);
    Py_RETURN_NONE;
}

SIZEOF(permutations)
{
    return size_with(self, PyTuple_GET_SIZE(PERMUTATIONS(self)->pool) + PERMUTATIONS(self)->r);
}

static PyMethodDef permutations_methods[] = {
    METHOD(permutations, __reduce__), METHOD(permutations, __setstate__), METHOD(permutations, __sizeof__), { 0 },
};
DEFINE_SPEC(permutations, Permutations, ITERTOOL_FLAGS, ITERATOR_SLOTS(permutations),
            { Py_tp_doc, "permutations(iterable, r=None)\n--\n\nReturn successive r-length permutations of elements in the iterable.\n\n"
                         "permutations(range(3), 2) --> (0,1), (0,2), (1,0), (1,2), (2,0), (2,1)" })
