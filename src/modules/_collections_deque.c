/* collections.deque: a doubly linked list of blocks of 64 items, open at both ends.
 *
 *   left block                        right block
 *   | . . . a b c ... | <-> ... <-> | ... x y z . . |
 *           ^ left_index                    ^ right_index
 *
 * Invariants: there is always at least one block; items run from left_index of the left block to right_index of the right one; an
 * empty deque has left_index == right_index + 1 in its only block. state changes with every change of length: iterators and searches
 * notice by it, since comparing items may run any code. A few blocks are kept for deques that are used as queues. */
#include "modules/_collections.h"

enum { BLOCK = 64, CENTER = (BLOCK - 1) / 2, SPARE_BLOCKS = 16 };

typedef struct Block {
    struct Block *left;
    PyObject *data[BLOCK];
    struct Block *right;
} Block;

typedef struct Deque {
    PyObject_VAR_HEAD
    Block *left_block, *right_block;
    Py_ssize_t left_index, right_index;
    size_t state;
    Py_ssize_t maxlen;                        /* -1: none */
    Py_ssize_t spare_count;
    Block *spare[SPARE_BLOCKS];
    PyObject *weakreflist;
} Deque;
_Static_assert(sizeof(Deque) == 216, "visible as __basicsize__");

#define DEQUE(o) ((Deque *)(o))
#define IS_DEQUE(o, state) PyObject_TypeCheck(o, (state)->deque_type)

/* ---- blocks ------------------------------------------------------------------------------------------------------------------- */

static Block *block_new(Deque *d)
{
    if (d->spare_count) return d->spare[--d->spare_count];
    Block *b = PyMem_Malloc(sizeof(Block));
    if (!b) PyErr_NoMemory();
    return b;
}

static void block_free(Deque *d, Block *b)
{
    if (d->spare_count < SPARE_BLOCKS) d->spare[d->spare_count++] = b;
    else PyMem_Free(b);
}

static void make_empty(Deque *d, Block *b)
{
    b->left = b->right = NULL;
    d->left_block = d->right_block = b;
    d->left_index = CENTER + 1;
    d->right_index = CENTER;
    Py_SET_SIZE(d, 0);
}

/* A place in the deque. */
typedef struct Place { Block *block; Py_ssize_t index; } Place;

static inline Place first_place(Deque *d) { return (Place){ d->left_block, d->left_index }; }

static inline void place_advance(Place *p)
{
    if (++p->index == BLOCK) {
        p->block = p->block->right;
        p->index = 0;
    }
}

static inline void place_retreat(Place *p)
{
    if (--p->index < 0) {
        p->block = p->block->left;
        p->index = BLOCK - 1;
    }
}

static Place place_of(Deque *d, Py_ssize_t i)
{
    Py_ssize_t n = Py_SIZE(d);
    if (i < n >> 1) {
        Place p = { d->left_block, d->left_index + i };
        for (; p.index >= BLOCK; p.index -= BLOCK) p.block = p.block->right;
        return p;
    }
    Place p = { d->right_block, d->right_index - (n - 1 - i) };
    for (; p.index < 0; p.index += BLOCK) p.block = p.block->left;
    return p;
}

/* ---- both ends ------------------------------------------------------------------------------------------------------------------ */

/* NULL without exception when empty. */
static PyObject *take_right(Deque *d)
{
    if (Py_SIZE(d) == 0) return NULL;
    PyObject *item = d->right_block->data[d->right_index--];
    Py_SET_SIZE(d, Py_SIZE(d) - 1);
    d->state++;
    if (d->right_index < 0) {
        if (Py_SIZE(d)) {
            Block *left = d->right_block->left;
            block_free(d, d->right_block);
            left->right = NULL;
            d->right_block = left;
            d->right_index = BLOCK - 1;
        }
        else {
            d->left_index = CENTER + 1;                    /* room on both sides again */
            d->right_index = CENTER;
        }
    }
    return item;
}

static PyObject *take_left(Deque *d)
{
    if (Py_SIZE(d) == 0) return NULL;
    PyObject *item = d->left_block->data[d->left_index++];
    Py_SET_SIZE(d, Py_SIZE(d) - 1);
    d->state++;
    if (d->left_index == BLOCK) {
        if (Py_SIZE(d)) {
            Block *right = d->left_block->right;
            block_free(d, d->left_block);
            right->left = NULL;
            d->left_block = right;
            d->left_index = 0;
        }
        else {
            d->left_index = CENTER + 1;
            d->right_index = CENTER;
        }
    }
    return item;
}

static inline bool too_long(Deque *d) { return (size_t)Py_SIZE(d) > (size_t)d->maxlen; }      /* maxlen -1 is no limit */

/* item STOLEN, also on failure. */
static int put_right(Deque *d, PyObject *item)
{
    if (d->right_index == BLOCK - 1) {
        Block *b = block_new(d);
        if (!b) {
            Py_DECREF(item);
            return -1;
        }
        b->left = d->right_block;
        b->right = NULL;
        d->right_block->right = b;
        d->right_block = b;
        d->right_index = -1;
    }
    d->right_block->data[++d->right_index] = item;
    Py_SET_SIZE(d, Py_SIZE(d) + 1);
    d->state++;
    if (too_long(d)) Py_DECREF(take_left(d));
    return 0;
}

static int put_left(Deque *d, PyObject *item)
{
    if (d->left_index == 0) {
        Block *b = block_new(d);
        if (!b) {
            Py_DECREF(item);
            return -1;
        }
        b->right = d->left_block;
        b->left = NULL;
        d->left_block->left = b;
        d->left_block = b;
        d->left_index = BLOCK;
    }
    d->left_block->data[--d->left_index] = item;
    Py_SET_SIZE(d, Py_SIZE(d) + 1);
    d->state++;
    if (too_long(d)) Py_DECREF(take_right(d));
    return 0;
}

/* Releases all items, the deque being empty meanwhile. */
static void deque_empty(Deque *d)
{
    Py_ssize_t n = Py_SIZE(d);
    if (n == 0) return;
    PyObject *raised = PyErr_GetRaisedException();         /* it may die of one */
    Block *fresh = block_new(d);
    if (!fresh) PyErr_Clear();
    PyErr_SetRaisedException(raised);
    if (!fresh) {                                          /* one by one then */
        for (PyObject *item; (item = take_right(d));) Py_DECREF(item);
        return;
    }
    Place p = first_place(d);
    Block *b = d->left_block;
    make_empty(d, fresh);
    d->state++;
    while (n--) {
        Py_DECREF(p.block->data[p.index]);
        if (++p.index == BLOCK) {
            Block *next = p.block->right;
            PyMem_Free(p.block);
            b = p.block = next;
            p.index = 0;
        }
    }
    if (b) PyMem_Free(b);
}

static int extend_side(Deque *d, PyObject *iterable, int (*put)(Deque *, PyObject *))
{
    if (iterable == (PyObject *)d) {                       /* it would never end */
        PyObject *copy = PySequence_List(iterable);
        int status = copy ? extend_side(d, copy, put) : -1;
        Py_XDECREF(copy);
        return status;
    }
    PyObject *item, *it = PyObject_GetIter(iterable);
    if (!it) return -1;
    iternextfunc next = Py_TYPE(it)->tp_iternext;
    int status = 0;
    if (Py_SIZE(d) == 0) {                                 /* saves a block: start at the far end */
        d->left_index = put == put_right ? 1 : BLOCK - 1;
        d->right_index = d->left_index - 1;
    }
    while ((item = next(it))) {
        if (d->maxlen == 0) Py_DECREF(item);               /* only consumes */
        else if (put(d, item) < 0) {
            status = -1;
            break;
        }
    }
    Py_DECREF(it);
    return status < 0 ? -1 : iteration_ended();
}

/* Turns the ring by n places to the right. */
static int rotate(Deque *d, Py_ssize_t n)
{
    Py_ssize_t size = Py_SIZE(d);
    if (size <= 1) return 0;
    if (n > size / 2 || n < -(size / 2)) {
        n %= size;
        if (n > size / 2) n -= size;
        else if (n < -(size / 2)) n += size;
    }
    Py_ssize_t maxlen = d->maxlen;
    int status = 0;
    d->maxlen = -1;                                        /* items only move */
    for (; n > 0 && status == 0; n--) status = put_left(d, take_right(d));
    for (; n < 0 && status == 0; n++) status = put_right(d, take_left(d));
    d->maxlen = maxlen;
    return status;
}

/* ---- construction ---------------------------------------------------------------------------------------------------------------- */

static PyObject *deque_new(PyTypeObject *type, PyObject *Py_UNUSED(args), PyObject *Py_UNUSED(kwargs))
{
    Deque *d = (Deque *)type->tp_alloc(type, 0);
    if (!d) return NULL;
    Block *b = block_new(d);
    if (!b) {
        Py_DECREF(d);
        return NULL;
    }
    make_empty(d, b);
    d->maxlen = -1;
    return (PyObject *)d;
}

SIGNATURE(deque_signature, "deque", KEYWORDS, "(iterable=(), maxlen=None)");

static int deque_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    PyObject *arg[2];
    Py_ssize_t maxlen = -1;
    if (args_bind_tuple(&deque_signature, args, kwargs, arg) < 0) return -1;
    if (arg[1] && arg[1] != Py_None) {
        maxlen = PyLong_AsSsize_t(arg[1]);
        if (maxlen == -1 && PyErr_Occurred()) return -1;
        if (maxlen < 0) {
            PyErr_SetString(PyExc_ValueError, "maxlen must be non-negative");
            return -1;
        }
    }
    Deque *d = DEQUE(self);
    d->maxlen = maxlen;
    deque_empty(d);
    return arg[0] ? extend_side(d, arg[0], put_right) : 0;
}

static int deque_clear_slot(PyObject *o)
{
    if (DEQUE(o)->left_block) deque_empty(DEQUE(o));
    return 0;
}

static void deque_dealloc(PyObject *o)
{
    Deque *d = DEQUE(o);
    PyObject_GC_UnTrack(o);
    if (d->weakreflist) PyObject_ClearWeakRefs(o);
    if (d->left_block) {
        deque_empty(d);
        PyMem_Free(d->left_block);
    }
    while (d->spare_count) PyMem_Free(d->spare[--d->spare_count]);
    free_instance(o);
}

static int deque_traverse(PyObject *o, visitproc visit, void *arg)
{
    Deque *d = DEQUE(o);
    VISIT_TYPE(o);
    if (!d->left_block) return 0;
    Place p = first_place(d);
    for (Py_ssize_t n = Py_SIZE(d); n > 0; n--) {
        Py_VISIT(p.block->data[p.index]);
        place_advance(&p);
    }
    return 0;
}

/* A deque of the same type and maxlen with the same items. */
static PyObject *deque_duplicate(Deque *d)
{
    CollectionsState *state = collections_state_of(Py_TYPE(d));
    if (!state) return NULL;
    PyObject *copy;
    if (Py_IS_TYPE(d, state->deque_type)) {
        if (!(copy = deque_new(state->deque_type, NULL, NULL))) return NULL;
        DEQUE(copy)->maxlen = d->maxlen;
        if (extend_side(DEQUE(copy), (PyObject *)d, put_right) < 0) Py_CLEAR(copy);
        return copy;
    }
    copy = d->maxlen < 0 ? PyObject_CallOneArg((PyObject *)Py_TYPE(d), (PyObject *)d)
                         : PyObject_CallFunction((PyObject *)Py_TYPE(d), "On", d, d->maxlen);
    if (copy && !IS_DEQUE(copy, state)) {
        PyErr_Format(PyExc_TypeError, "%.200s() must return a deque, not %.200s", Py_TYPE(d)->tp_name, Py_TYPE(copy)->tp_name);
        Py_CLEAR(copy);
    }
    return copy;
}

/* ---- sequence -------------------------------------------------------------------------------------------------------------------- */

static Py_ssize_t deque_length(PyObject *o) { return Py_SIZE(o); }

static PyObject *deque_item(PyObject *o, Py_ssize_t i)
{
    if ((size_t)i >= (size_t)Py_SIZE(o)) {
        PyErr_SetString(PyExc_IndexError, "deque index out of range");
        return NULL;
    }
    Place p = place_of(DEQUE(o), i);
    return Py_NewRef(p.block->data[p.index]);
}

static int deque_delete_at(Deque *d, Py_ssize_t i)
{
    if (rotate(d, -i) < 0) return -1;
    PyObject *item = take_left(d);
    int status = rotate(d, i);
    Py_XDECREF(item);
    return status;
}

static int deque_ass_item(PyObject *o, Py_ssize_t i, PyObject *value)
{
    if ((size_t)i >= (size_t)Py_SIZE(o)) {
        PyErr_SetString(PyExc_IndexError, "deque index out of range");
        return -1;
    }
    if (!value) return deque_delete_at(DEQUE(o), i);
    Place p = place_of(DEQUE(o), i);
    SET_FIELD(p.block->data[p.index], Py_NewRef(value));
    return 0;
}

/* The place of value from start on, before stop: its index, -1 absent, -2 with an exception. mutated is raised when a comparison
 * changed the deque; remove() wants that (IndexError) even for the comparison that found the value. */
static Py_ssize_t deque_search(Deque *d, PyObject *value, Py_ssize_t start, Py_ssize_t stop, PyObject *mutated)
{
    if (start >= stop) return -1;
    size_t state = d->state;
    Place p = place_of(d, start);
    for (Py_ssize_t i = start; i < stop; i++) {
        PyObject *item = Py_NewRef(p.block->data[p.index]);
        int same = PyObject_RichCompareBool(item, value, Py_EQ);
        Py_DECREF(item);
        if (same < 0) return -2;
        if (same && mutated == PyExc_RuntimeError) return i;
        if (d->state != state) {
            PyErr_SetString(mutated, "deque mutated during iteration");
            return -2;
        }
        if (same) return i;
        place_advance(&p);
    }
    return -1;
}

static int deque_contains(PyObject *o, PyObject *value)
{
    Py_ssize_t i = deque_search(DEQUE(o), value, 0, Py_SIZE(o), PyExc_RuntimeError);
    return i == -2 ? -1 : i >= 0;
}

static PyObject *deque_concat(PyObject *a, PyObject *b)
{
    CollectionsState *state = collections_state_of(Py_TYPE(a));
    if (!state) return NULL;
    if (!IS_DEQUE(b, state)) {
        PyErr_Format(PyExc_TypeError, "can only concatenate deque (not \"%.200s\") to deque", Py_TYPE(b)->tp_name);
        return NULL;
    }
    PyObject *result = deque_duplicate(DEQUE(a));
    if (result && extend_side(DEQUE(result), b, put_right) < 0) Py_CLEAR(result);
    return result;
}

static PyObject *deque_inplace_concat(PyObject *o, PyObject *other)
{
    return extend_side(DEQUE(o), other, put_right) < 0 ? NULL : Py_NewRef(o);
}

static PyObject *deque_inplace_repeat(PyObject *o, Py_ssize_t n)
{
    Deque *d = DEQUE(o);
    Py_ssize_t size = Py_SIZE(d);
    if (size == 0 || n == 1) return Py_NewRef(o);
    if (n <= 0) {
        deque_empty(d);
        return Py_NewRef(o);
    }
    if (d->maxlen >= 0 && n > d->maxlen / size) n = (d->maxlen - 1) / size + 1;      /* more would only push the same out again */
    if (n > PY_SSIZE_T_MAX / size) return PyErr_NoMemory();
    PyObject *items = PySequence_List(o);
    if (!items) return NULL;
    for (Py_ssize_t k = 1; k < n; k++) {
        for (Py_ssize_t i = 0; i < size; i++) {
            if (put_right(d, Py_NewRef(PyList_GET_ITEM(items, i))) == 0) continue;
            Py_DECREF(items);
            return NULL;
        }
    }
    Py_DECREF(items);
    return Py_NewRef(o);
}

static PyObject *deque_repeat(PyObject *o, Py_ssize_t n)
{
    PyObject *copy = deque_duplicate(DEQUE(o)), *result;
    if (!copy) return NULL;
    result = deque_inplace_repeat(copy, n);
    Py_DECREF(copy);
    return result;
}

static PyObject *deque_repr(PyObject *o)
{
    int entered = Py_ReprEnter(o);
    if (entered) return entered > 0 ? PyUnicode_FromString("[...]") : NULL;
    const char *dot = strrchr(Py_TYPE(o)->tp_name, '.'), *name = dot ? dot + 1 : Py_TYPE(o)->tp_name;
    PyObject *list = PySequence_List(o), *result = NULL;
    if (list) {
        result = DEQUE(o)->maxlen >= 0 ? PyUnicode_FromFormat("%s(%R, maxlen=%zd)", name, list, DEQUE(o)->maxlen)
                                       : PyUnicode_FromFormat("%s(%R)", name, list);
        Py_DECREF(list);
    }
    Py_ReprLeave(o);
    return result;
}

static PyObject *deque_richcompare(PyObject *a, PyObject *b, int op)
{
    CollectionsState *state = collections_state_of(Py_TYPE(a));
    if (!state) return NULL;
    if (!IS_DEQUE(b, state)) Py_RETURN_NOTIMPLEMENTED;
    if (op == Py_EQ || op == Py_NE) {
        if (a == b) return PyBool_FromLong(op == Py_EQ);
        if (Py_SIZE(a) != Py_SIZE(b)) return PyBool_FromLong(op == Py_NE);
    }
    PyObject *it_a = PyObject_GetIter(a), *it_b = it_a ? PyObject_GetIter(b) : NULL, *x = NULL, *y = NULL, *result = NULL;
    if (!it_b) goto done;
    for (;;) {
        if (!(x = PyIter_Next(it_a)) && PyErr_Occurred()) goto done;
        if (!(y = PyIter_Next(it_b)) && PyErr_Occurred()) goto done;
        if (!x || !y) break;
        int same = PyObject_RichCompareBool(x, y, Py_EQ);
        if (same < 0) goto done;
        if (!same) {
            result = PyObject_RichCompare(x, y, op);
            goto done;
        }
        Py_CLEAR(x);
        Py_CLEAR(y);
    }
    int left = x != NULL, right = y != NULL;               /* what is longer is greater */
    switch (op) {
    case Py_LT: result = PyBool_FromLong(left < right); break;
    case Py_LE: result = PyBool_FromLong(left <= right); break;
    case Py_EQ: result = PyBool_FromLong(left == right); break;
    case Py_NE: result = PyBool_FromLong(left != right); break;
    case Py_GT: result = PyBool_FromLong(left > right); break;
    case Py_GE: result = PyBool_FromLong(left >= right); break;
    }
done:
    Py_XDECREF(x);
    Py_XDECREF(y);
    Py_XDECREF(it_a);
    Py_XDECREF(it_b);
    return result;
}

/* ---- methods ----------------------------------------------------------------------------------------------------------------------- */

static PyObject *none_or_null(int status) { return status < 0 ? NULL : Py_NewRef(Py_None); }

BUILTIN_O(deque, append, "($self, item, /)", "Add an element to the right side of the deque.")
{
    return none_or_null(put_right(DEQUE(self), Py_NewRef(arg)));
}
BUILTIN_O(deque, appendleft, "($self, item, /)", "Add an element to the left side of the deque.")
{
    return none_or_null(put_left(DEQUE(self), Py_NewRef(arg)));
}
BUILTIN_O(deque, extend, "($self, iterable, /)", "Extend the right side of the deque with elements from the iterable.")
{
    return none_or_null(extend_side(DEQUE(self), arg, put_right));
}
BUILTIN_O(deque, extendleft, "($self, iterable, /)", "Extend the left side of the deque with elements from the iterable.")
{
    return none_or_null(extend_side(DEQUE(self), arg, put_left));
}

static PyObject *taken(PyObject *item)
{
    if (!item) PyErr_SetString(PyExc_IndexError, "pop from an empty deque");
    return item;
}
BUILTIN_NOARGS(deque, pop, "($self, /)", "Remove and return the rightmost element.") { return taken(take_right(DEQUE(self))); }
BUILTIN_NOARGS(deque, popleft, "($self, /)", "Remove and return the leftmost element.") { return taken(take_left(DEQUE(self))); }

BUILTIN_NOARGS(deque, clear, "($self, /)", "Remove all elements from the deque.")
{
    deque_empty(DEQUE(self));
    Py_RETURN_NONE;
}
BUILTIN_NOARGS(deque, copy, "($self, /)", "Return a shallow copy of a deque.") { return deque_duplicate(DEQUE(self)); }
BUILTIN_NOARGS(deque, __copy__, "($self, /)", "Return a shallow copy of a deque.") { return deque_duplicate(DEQUE(self)); }

BUILTIN(deque, rotate, POSITIONAL, "($self, n=1, /)", "Rotate the deque n steps to the right.  If n is negative, rotates left.")
{
    Py_ssize_t n = 1;
    if (arg[0]) {
        PyObject *index = PyNumber_Index(arg[0]);
        if (!index) return NULL;
        n = PyLong_AsSsize_t(index);
        Py_DECREF(index);
        if (n == -1 && PyErr_Occurred()) return NULL;
    }
    return none_or_null(rotate(DEQUE(self), n));
}

BUILTIN_NOARGS(deque, reverse, "($self, /)", "Reverse *IN PLACE*.")
{
    Deque *d = DEQUE(self);
    Place left = first_place(d), right = { d->right_block, d->right_index };
    for (Py_ssize_t n = Py_SIZE(d) >> 1; n > 0; n--) {
        PyObject *item = left.block->data[left.index];
        left.block->data[left.index] = right.block->data[right.index];
        right.block->data[right.index] = item;
        place_advance(&left);
        place_retreat(&right);
    }
    Py_RETURN_NONE;
}

BUILTIN_O(deque, count, "($self, value, /)", "Return number of occurrences of value.")
{
    Deque *d = DEQUE(self);
    Py_ssize_t found = 0;
    size_t state = d->state;
    Place p = first_place(d);
    for (Py_ssize_t n = Py_SIZE(d); n > 0; n--) {
        PyObject *item = Py_NewRef(p.block->data[p.index]);
        int same = PyObject_RichCompareBool(item, arg, Py_EQ);
        Py_DECREF(item);
        if (same < 0) return NULL;
        found += same;
        if (d->state != state) {
            PyErr_SetString(PyExc_RuntimeError, "deque mutated during iteration");
            return NULL;
        }
        place_advance(&p);
    }
    return PyLong_FromSsize_t(found);
}

BUILTIN_FAST(deque, index, "($self, value, [start, [stop]])",
             "Return first index of value.\n\nRaises ValueError if the value is not present.")
{
    Py_ssize_t start = 0, n = Py_SIZE(self), stop = n;
    if (check_count("index", nargs, 1, 3) < 0) return NULL;
    if (nargs > 1 && !_PyEval_SliceIndexNotNone(args[1], &start)) return NULL;
    if (nargs > 2 && !_PyEval_SliceIndexNotNone(args[2], &stop)) return NULL;
    n = Py_SIZE(self);                                     /* __index__ may have changed it */
    if (start < 0 && (start += n) < 0) start = 0;
    if (stop < 0 && (stop += n) < 0) stop = 0;
    if (stop > n) stop = n;
    Py_ssize_t i = deque_search(DEQUE(self), args[0], start, stop, PyExc_RuntimeError);
    if (i == -1) PyErr_Format(PyExc_ValueError, "%R is not in deque", args[0]);
    return i < 0 ? NULL : PyLong_FromSsize_t(i);
}

BUILTIN_O(deque, remove, "($self, value, /)", "Remove first occurrence of value.")
{
    Py_ssize_t i = deque_search(DEQUE(self), arg, 0, Py_SIZE(self), PyExc_IndexError);
    if (i == -1) PyErr_Format(PyExc_ValueError, "%R is not in deque", arg);
    return i < 0 ? NULL : none_or_null(deque_delete_at(DEQUE(self), i));
}

BUILTIN(deque, insert, POSITIONAL, "($self, index, value, /)", "Insert value before index.")
{
    Deque *d = DEQUE(self);
    Py_ssize_t n = Py_SIZE(d);
    PyObject *number = PyNumber_Index(arg[0]);
    if (!number) return NULL;
    Py_ssize_t index = PyLong_AsSsize_t(number);
    Py_DECREF(number);
    if (index == -1 && PyErr_Occurred()) return NULL;
    if (n == d->maxlen) {
        PyErr_SetString(PyExc_IndexError, "deque already at its maximum size");
        return NULL;
    }
    if (index >= n) return none_or_null(put_right(d, Py_NewRef(arg[1])));
    if (index <= -n || index == 0) return none_or_null(put_left(d, Py_NewRef(arg[1])));
    if (rotate(d, -index) < 0) return NULL;
    int status = index < 0 ? put_right(d, Py_NewRef(arg[1])) : put_left(d, Py_NewRef(arg[1]));
    return status < 0 ? NULL : none_or_null(rotate(d, index));
}

BUILTIN_NOARGS(deque, __reduce__, "($self, /)", "Return state information for pickling.")
{
    PyObject *state = PyObject_CallMethod(self, "__getstate__", NULL), *it = state ? PyObject_GetIter(self) : NULL;
    if (!it) {
        Py_XDECREF(state);
        return NULL;
    }
    if (DEQUE(self)->maxlen < 0) return Py_BuildValue("O()NN", Py_TYPE(self), state, it);
    return Py_BuildValue("O(()n)NN", Py_TYPE(self), DEQUE(self)->maxlen, state, it);
}

BUILTIN_NOARGS(deque, __sizeof__, "($self, /)", "Return the size of the deque in memory, in bytes.")
{
    Deque *d = DEQUE(self);
    size_t blocks = ((size_t)d->left_index + (size_t)Py_SIZE(d) + BLOCK - 1) / BLOCK;
    if (blocks == 0) blocks = 1;
    return PyLong_FromSize_t((size_t)Py_TYPE(self)->tp_basicsize + blocks * sizeof(Block));
}

static PyObject *iterator_make(PyTypeObject *type, Deque *d, bool reverse);

static PyObject *deque_iter(PyObject *o)
{
    CollectionsState *state = collections_state_of(Py_TYPE(o));
    return state ? iterator_make(state->iterator_type, DEQUE(o), false) : NULL;
}

BUILTIN_NOARGS(deque, __reversed__, "($self, /)", "Return a reverse iterator over the deque.")
{
    CollectionsState *state = collections_state_of(Py_TYPE(self));
    return state ? iterator_make(state->reverse_iterator_type, DEQUE(self), true) : NULL;
}

static PyObject *deque_get_maxlen(PyObject *o, void *Py_UNUSED(closure))
{
    return DEQUE(o)->maxlen < 0 ? Py_NewRef(Py_None) : PyLong_FromSsize_t(DEQUE(o)->maxlen);
}

static PyMethodDef deque_methods[] = {
    METHOD(deque, append), METHOD(deque, appendleft), METHOD(deque, clear), METHOD(deque, __copy__), METHOD(deque, copy),
    METHOD(deque, count), METHOD(deque, extend), METHOD(deque, extendleft),
    METHOD(deque, index), METHOD(deque, insert),
    METHOD(deque, pop), METHOD(deque, popleft), METHOD(deque, __reduce__), METHOD(deque, remove), METHOD(deque, __reversed__),
    METHOD(deque, reverse), METHOD(deque, rotate), METHOD(deque, __sizeof__), CLASS_GETITEM_METHOD, { 0 },
};
static PyGetSetDef deque_getset[] = { { "maxlen", deque_get_maxlen, NULL, "maximum size of a deque or None if unbounded", NULL }, { 0 } };
static PyMemberDef deque_members[] = { { "__weaklistoffset__", Py_T_PYSSIZET, offsetof(Deque, weakreflist), Py_READONLY, NULL }, { 0 } };

static PyType_Slot deque_slots[] = {
    { Py_tp_doc, "deque([iterable[, maxlen]])\n--\n\nA list-like sequence optimized for data accesses near its endpoints." },
    SLOT(tp_dealloc, deque_dealloc), SLOT(tp_repr, deque_repr), SLOT(tp_hash, PyObject_HashNotImplemented),
    SLOT(tp_getattro, PyObject_GenericGetAttr), SLOT(tp_traverse, deque_traverse), SLOT(tp_clear, deque_clear_slot),
    SLOT(tp_richcompare, deque_richcompare), SLOT(tp_iter, deque_iter), SLOT(tp_getset, deque_getset), SLOT(tp_init, deque_init),
    SLOT(tp_alloc, PyType_GenericAlloc), SLOT(tp_new, deque_new), SLOT(tp_free, PyObject_GC_Del), SLOT(tp_methods, deque_methods),
    SLOT(tp_members, deque_members), SLOT(sq_length, deque_length), SLOT(sq_concat, deque_concat), SLOT(sq_repeat, deque_repeat),
    SLOT(sq_item, deque_item), SLOT(sq_ass_item, deque_ass_item), SLOT(sq_contains, deque_contains),
    SLOT(sq_inplace_concat, deque_inplace_concat), SLOT(sq_inplace_repeat, deque_inplace_repeat), { 0, NULL },
};
PyType_Spec deque_spec = {
    "collections.deque", sizeof(Deque), 0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_SEQUENCE | Py_TPFLAGS_IMMUTABLETYPE, deque_slots,
};

/* ---- iterators ---------------------------------------------------------------------------------------------------------------------- */

typedef struct DequeIterator {
    PyObject_HEAD
    Place place;
    Deque *deque;
    size_t state;
    Py_ssize_t left;
} DequeIterator;

#define ITERATOR(o) ((DequeIterator *)(o))

static PyObject *iterator_make(PyTypeObject *type, Deque *d, bool reverse)
{
    DequeIterator *it = PyObject_GC_New(DequeIterator, type);
    if (!it) return NULL;
    it->place = reverse ? (Place){ d->right_block, d->right_index } : first_place(d);
    it->deque = DEQUE(Py_NewRef((PyObject *)d));
    it->state = d->state;
    it->left = Py_SIZE(d);
    PyObject_GC_Track(it);
    return (PyObject *)it;
}

static int dequeiter_clear(PyObject *o)
{
    Py_CLEAR(ITERATOR(o)->deque);
    return 0;
}

static void dequeiter_dealloc(PyObject *o)
{
    PyObject_GC_UnTrack(o);
    dequeiter_clear(o);
    free_instance(o);
}

static int dequeiter_traverse(PyObject *o, visitproc visit, void *arg)
{
    VISIT_TYPE(o);
    Py_VISIT(ITERATOR(o)->deque);
    return 0;
}

/* The item at hand, or NULL at the end or when the deque changed. */
static PyObject *dequeiter_current(DequeIterator *it)
{
    if (!it->deque) return NULL;
    if (it->deque->state != it->state) {
        it->left = 0;
        PyErr_SetString(PyExc_RuntimeError, "deque mutated during iteration");
        return NULL;
    }
    if (it->left == 0) return NULL;
    it->left--;
    return Py_NewRef(it->place.block->data[it->place.index]);
}

static PyObject *dequeiter_next(PyObject *o)
{
    PyObject *item = dequeiter_current(ITERATOR(o));
    if (item && ITERATOR(o)->left) place_advance(&ITERATOR(o)->place);
    return item;
}

static PyObject *dequereviter_next(PyObject *o)
{
    PyObject *item = dequeiter_current(ITERATOR(o));
    if (item && ITERATOR(o)->left) place_retreat(&ITERATOR(o)->place);
    return item;
}

static PyObject *iterator_new(PyTypeObject *type, PyObject *args, bool reverse)
{
    CollectionsState *state = collections_state_of(type);
    PyObject *deque;
    Py_ssize_t index = 0;
    if (!state || !PyArg_ParseTuple(args, "O!|n", state->deque_type, &deque, &index)) return NULL;
    PyObject *o = iterator_make(type, DEQUE(deque), reverse);
    for (Py_ssize_t i = 0; o && i < index; i++) {
        PyObject *item = reverse ? dequereviter_next(o) : dequeiter_next(o);
        if (item) Py_DECREF(item);
        else if (PyErr_Occurred()) Py_CLEAR(o);
        else break;
    }
    return o;
}

static PyObject *dequeiter_new(PyTypeObject *type, PyObject *args, PyObject *Py_UNUSED(kwargs)) { return iterator_new(type, args, false); }
static PyObject *dequereviter_new(PyTypeObject *type, PyObject *args, PyObject *Py_UNUSED(kwargs)) { return iterator_new(type, args, true); }

BUILTIN_NOARGS(dequeiter, __length_hint__, "($self, /)", "Private method returning an estimate of len(list(it)).")
{
    return PyLong_FromSsize_t(ITERATOR(self)->left);
}
BUILTIN_NOARGS(dequeiter, __reduce__, "($self, /)", "Return state information for pickling.")
{
    DequeIterator *it = ITERATOR(self);
    return Py_BuildValue("O(On)", Py_TYPE(self), it->deque, Py_SIZE(it->deque) - it->left);
}

static PyMethodDef dequeiter_methods[] = { METHOD(dequeiter, __length_hint__), METHOD(dequeiter, __reduce__), { 0 } };

#define ITERATOR_SPEC(variable, shown, prefix)                                                                               \
    static PyType_Slot prefix##_slots[] = {                                                                                  \
        SLOT(tp_dealloc, dequeiter_dealloc), SLOT(tp_getattro, PyObject_GenericGetAttr), SLOT(tp_traverse, dequeiter_traverse), \
        SLOT(tp_clear, dequeiter_clear), SLOT(tp_iter, PyObject_SelfIter), SLOT(tp_iternext, prefix##_next),                 \
        SLOT(tp_methods, dequeiter_methods), SLOT(tp_new, prefix##_new), { 0, NULL },                                        \
    };                                                                                                                       \
    PyType_Spec variable = { shown, sizeof(DequeIterator), 0,                                                                \
                             Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE, prefix##_slots };
ITERATOR_SPEC(deque_iterator_spec, "collections._deque_iterator", dequeiter)
ITERATOR_SPEC(deque_reverse_iterator_spec, "collections._deque_reverse_iterator", dequereviter)
