/* set and frozenset: the types. The table is in set_table.c. */
#include "objects/set_private.h"

#include "runtime/errors.h"

#define SET(o) ((PySetObject *)(o))

static inline Py_hash_t item_hash(PyObject *key) { return quick_hash(key); }

static int set_add_key(PySetObject *s, PyObject *key)
{
    Py_hash_t hash = item_hash(key);
    return hash == -1 ? -1 : set_add_hashed(s, key, hash);
}

static int set_contains_key(PySetObject *s, PyObject *key)
{
    Py_hash_t hash = item_hash(key);
    return hash == -1 ? -1 : set_contains_hashed(s, key, hash);
}

static int set_discard_key(PySetObject *s, PyObject *key)
{
    Py_hash_t hash = item_hash(key);
    return hash == -1 ? -1 : set_discard_hashed(s, key, hash);
}

/* Adds everything that iterable gives. */
static int set_update_from(PySetObject *s, PyObject *iterable)
{
    if (PyAnySet_Check(iterable)) return set_merge_set(s, SET(iterable));
    if (PyDict_CheckExact(iterable)) return set_merge_dict(s, (PyDictObject *)iterable);
    PyObject *key, *it = PyObject_GetIter(iterable);
    if (!it) return -1;
    iternextfunc next = Py_TYPE(it)->tp_iternext;
    while ((key = next(it))) {
        int status = set_add_key(s, key);
        Py_DECREF(key);
        if (status < 0) {
            Py_DECREF(it);
            return -1;
        }
    }
    Py_DECREF(it);
    return iteration_ended();
}

/* ---- life ---------------------------------------------------------------------------------------------------------------- */

static PyObject *set_make(PyTypeObject *type, PyObject *iterable)
{
    PySetObject *s;
    if (type == &PySet_Type || type == &PyFrozenSet_Type) {
        Thread *t = thread_get();
        if (!(s = (PySetObject *)gc_alloc(t, type, sizeof(PySetObject), 0))) return NULL;
        memset(s->smalltable, 0, sizeof s->smalltable);
        s->weakreflist = NULL;
        s->fill = s->used = 0;
        gc_track(t, OBJECT(s));
    }
    else if (!(s = (PySetObject *)type->tp_alloc(type, 0))) return NULL;
    s->mask = PySet_MINSIZE - 1;
    s->table = s->smalltable;
    s->hash = -1;
    s->finger = 0;
    if (iterable && set_update_from(s, iterable) < 0) {
        Py_DECREF(s);
        return NULL;
    }
    return OBJECT(s);
}

/* Results of operators are never of a subclass. */
static PyObject *set_make_base(PyTypeObject *type, PyObject *iterable)
{
    if (type != &PySet_Type && type != &PyFrozenSet_Type)
        type = PyType_IsSubtype(type, &PySet_Type) ? &PySet_Type : &PyFrozenSet_Type;
    return set_make(type, iterable);
}

static void set_dealloc(PyObject *o)
{
    PySetObject *s = SET(o);
    Thread *t = thread_get();
    if (gc_is_tracked(o)) gc_untrack(t, o);
    if (s->weakreflist) PyObject_ClearWeakRefs(o);
    Py_ssize_t used = s->used;
    for (setentry *e = s->table; used > 0; e++) {
        if (!entry_is_live(e)) continue;
        used--;
        Py_DECREF(e->key);
    }
    if (s->table != s->smalltable) PyMem_Free(s->table);
    if (LIKELY(PyAnySet_CheckExact(o))) gc_free(t, o, 0);
    else Py_TYPE(o)->tp_free(o);
}

static int set_traverse(PyObject *o, visitproc visit, void *arg)
{
    Py_ssize_t at = 0;
    if (!SET(o)->table) return 0;                          /* between tp_alloc and set_make */
    for (setentry *e; (e = set_next(SET(o), &at));) Py_VISIT(e->key);
    return 0;
}

static int set_tp_clear(PyObject *o)
{
    set_empty(SET(o));
    return 0;
}

static PyObject *set_new(PyTypeObject *type, PyObject *Py_UNUSED(args), PyObject *Py_UNUSED(kwargs)) { return set_make(type, NULL); }

SIGNATURE(set_init_signature, "set", POSITIONAL, "(iterable=(), /)");
SIGNATURE(frozenset_new_signature, "frozenset", POSITIONAL, "(iterable=(), /)");

static int set_refill(PyObject *self, PyObject *iterable)
{
    if (SET(self)->fill) set_empty(SET(self));
    SET(self)->hash = -1;
    return iterable ? set_update_from(SET(self), iterable) : 0;
}

static int set_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    PyObject *arg[1];
    if (args_bind_tuple(&set_init_signature, args, kwargs && PyDict_GET_SIZE(kwargs) ? kwargs : NULL, arg) < 0) return -1;
    return set_refill(self, arg[0]);
}

static PyObject *set_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    PyObject *arg[1];
    if (args_bind(&set_init_signature, args, PyVectorcall_NARGS(nargsf), kwnames && PyTuple_GET_SIZE(kwnames) ? kwnames : NULL, arg) < 0)
        return NULL;
    return set_make((PyTypeObject *)type, arg[0]);
}

static PyObject *frozenset_make(PyTypeObject *type, PyObject *iterable)
{
    if (type == &PyFrozenSet_Type && iterable && PyFrozenSet_CheckExact(iterable)) return Py_NewRef(iterable);
    return set_make(type, iterable);
}

static PyObject *frozenset_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *arg[1];
    if (type != &PyFrozenSet_Type && type->tp_init != PyFrozenSet_Type.tp_init) kwargs = NULL;
    if (args_bind_tuple(&frozenset_new_signature, args, kwargs && PyDict_GET_SIZE(kwargs) ? kwargs : NULL, arg) < 0) return NULL;
    return frozenset_make(type, arg[0]);
}

static PyObject *frozenset_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    PyObject *arg[1];
    if (args_bind(&frozenset_new_signature, args, PyVectorcall_NARGS(nargsf), kwnames && PyTuple_GET_SIZE(kwnames) ? kwnames : NULL, arg) < 0)
        return NULL;
    return frozenset_make((PyTypeObject *)type, arg[0]);
}

/* ---- PySet_* ---------------------------------------------------------------------------------------------------------------- */

PyObject *PySet_New(PyObject *iterable) { return set_make(&PySet_Type, iterable); }
PyObject *PyFrozenSet_New(PyObject *iterable) { return set_make(&PyFrozenSet_Type, iterable); }

#define REQUIRE(test) do { if (!(test)) { PyErr_BadInternalCall(); return -1; } } while (0)

Py_ssize_t PySet_Size(PyObject *o)
{
    REQUIRE(PyAnySet_Check(o));
    return SET(o)->used;
}

int PySet_Clear(PyObject *o)
{
    REQUIRE(PySet_Check(o));
    set_empty(SET(o));
    return 0;
}

int PySet_Contains(PyObject *o, PyObject *key)
{
    REQUIRE(PyAnySet_Check(o));
    return set_contains_key(SET(o), key);
}

int PySet_Discard(PyObject *o, PyObject *key)
{
    REQUIRE(PySet_Check(o));
    return set_discard_key(SET(o), key);
}

int PySet_Add(PyObject *o, PyObject *key)
{
    REQUIRE(PySet_Check(o) || (PyFrozenSet_Check(o) && Py_REFCNT(o) == 1));      /* a frozenset under construction */
    return set_add_key(SET(o), key);
}

static PyObject *set_pop(PyObject *self, PyObject *unused);

PyObject *PySet_Pop(PyObject *o)
{
    if (!PySet_Check(o)) {
        PyErr_BadInternalCall();
        return NULL;
    }
    return set_pop(o, NULL);
}

/* ---- slots -------------------------------------------------------------------------------------------------------------------- */

static PyObject *set_repr(PyObject *o)
{
    int entered = Py_ReprEnter(o);
    if (entered) return entered > 0 ? PyUnicode_FromFormat("%s(...)", Py_TYPE(o)->tp_name) : NULL;
    PyObject *result = NULL, *keys = NULL, *list_text = NULL;
    if (SET(o)->used == 0) {
        result = PyUnicode_FromFormat("%s()", Py_TYPE(o)->tp_name);
        goto done;
    }
    if (!(keys = PySequence_List(o)) || !(list_text = PyObject_Repr(keys))) goto done;
    PyObject *inside = PyUnicode_Substring(list_text, 1, PyUnicode_GET_LENGTH(list_text) - 1);
    if (!inside) goto done;
    result = PySet_CheckExact(o) ? PyUnicode_FromFormat("{%U}", inside) : PyUnicode_FromFormat("%s({%U})", Py_TYPE(o)->tp_name, inside);
    Py_DECREF(inside);
done:
    Py_XDECREF(keys);
    Py_XDECREF(list_text);
    Py_ReprLeave(o);
    return result;
}

static Py_ssize_t set_length(PyObject *o) { return SET(o)->used; }

static Py_uhash_t shuffle_bits(Py_uhash_t h) { return ((h ^ 89869747UL) ^ (h << 16)) * 3644798167UL; }

/* Independent of the order: an exclusive or of scattered hashes. All slots are mixed in without a test, and what unused and deleted
 * ones added is taken out again. */
static Py_hash_t frozenset_hash(PyObject *o)
{
    PySetObject *s = SET(o);
    if (s->hash != -1) return s->hash;
    Py_uhash_t hash = 0;
    for (setentry *e = s->table; e <= s->table + s->mask; e++) hash ^= shuffle_bits((Py_uhash_t)e->hash);
    if ((s->mask + 1 - s->fill) & 1) hash ^= shuffle_bits(0);
    if ((s->fill - s->used) & 1) hash ^= shuffle_bits((Py_uhash_t)-1);
    hash ^= ((Py_uhash_t)s->used + 1) * 1927868237UL;
    hash ^= (hash >> 11) ^ (hash >> 25);
    hash = hash * 69069U + 907133923UL;
    if (hash == (Py_uhash_t)-1) hash = 590923713UL;
    return s->hash = (Py_hash_t)hash;
}

/* A set as a key stands for the frozenset of its items. *key becomes an owned frozenset; 0 when it is not about that. */
static int key_as_frozenset(PyObject *key, PyObject **frozen)
{
    if (!PySet_Check(key) || !PyErr_ExceptionMatches(PyExc_TypeError)) return 0;
    PyErr_Clear();
    return (*frozen = set_make(&PyFrozenSet_Type, key)) ? 1 : 0;
}

static int set_contains(PyObject *o, PyObject *key)
{
    PyObject *frozen;
    int found = set_contains_key(SET(o), key);
    if (found >= 0 || !key_as_frozenset(key, &frozen)) return found;
    found = set_contains_key(SET(o), frozen);
    Py_DECREF(frozen);
    return found;
}

static int set_discard_any(PyObject *o, PyObject *key)
{
    PyObject *frozen;
    int found = set_discard_key(SET(o), key);
    if (found >= 0 || !key_as_frozenset(key, &frozen)) return found;
    found = set_discard_key(SET(o), frozen);
    Py_DECREF(frozen);
    return found;
}

/* ---- operations ------------------------------------------------------------------------------------------------------------------ */

/* Is every key of a in b? */
static int is_subset(PySetObject *a, PySetObject *b)
{
    Py_ssize_t at = 0;
    if (a->used > b->used) return 0;
    for (setentry *e; (e = set_next(a, &at));) {
        PyObject *key = Py_NewRef(e->key);
        int found = set_contains_hashed(b, key, e->hash);
        Py_DECREF(key);
        if (found <= 0) return found;
    }
    return 1;
}

static PyObject *set_richcompare(PyObject *a, PyObject *b, int op)
{
    int result;
    if (!PyAnySet_Check(b)) Py_RETURN_NOTIMPLEMENTED;
    PySetObject *s = SET(a), *other = SET(b);
    switch (op) {
    case Py_EQ:
    case Py_NE:
        if (s->used != other->used || (s->hash != -1 && other->hash != -1 && s->hash != other->hash)) result = 0;
        else result = is_subset(s, other);
        if (result >= 0 && op == Py_NE) result = !result;
        break;
    case Py_LE: result = is_subset(s, other); break;
    case Py_GE: result = is_subset(other, s); break;
    case Py_LT: result = s->used < other->used ? is_subset(s, other) : 0; break;
    default: result = s->used > other->used ? is_subset(other, s) : 0; break;
    }
    return result < 0 ? NULL : PyBool_FromLong(result);
}

/* New set of what a has in common with any iterable. */
static PyObject *set_intersect(PySetObject *a, PyObject *other)
{
    if (OBJECT(a) == other) return set_make_base(Py_TYPE(a), other);
    PyObject *result = set_make_base(Py_TYPE(a), NULL), *key, *it = NULL;
    if (!result) return NULL;
    if (PyAnySet_Check(other)) {
        PySetObject *small = SET(other), *large = a;
        if (small->used > large->used) small = a, large = SET(other);
        Py_ssize_t at = 0;
        for (setentry *e; (e = set_next(small, &at));) {
            Py_hash_t hash = e->hash;
            key = Py_NewRef(e->key);
            int found = set_contains_hashed(large, key, hash);
            if (found > 0) found = set_add_hashed(SET(result), key, hash);
            Py_DECREF(key);
            if (found < 0) goto fail;
        }
        return result;
    }
    if (!(it = PyObject_GetIter(other))) goto fail;
    while ((key = PyIter_Next(it))) {
        Py_hash_t hash = item_hash(key);
        int found = hash == -1 ? -1 : set_contains_hashed(a, key, hash);
        if (found > 0) found = set_add_hashed(SET(result), key, hash);
        Py_DECREF(key);
        if (found < 0) goto fail;
    }
    if (PyErr_Occurred()) goto fail;
    Py_DECREF(it);
    return result;
fail:
    Py_XDECREF(it);
    Py_DECREF(result);
    return NULL;
}

/* Removes what other gives. */
static int set_subtract_from(PySetObject *s, PyObject *other)
{
    if (OBJECT(s) == other) {
        set_empty(s);
        return 0;
    }
    if (PyAnySet_Check(other)) {
        Py_ssize_t at = 0;
        /* With a small s it is cheaper to look up its keys in other. */
        PyObject *common = NULL;
        if (SET(other)->used > s->used << 3 && !(common = set_intersect(s, other))) return -1;
        PySetObject *from = common ? SET(common) : SET(other);
        int status = 0;
        for (setentry *e; status >= 0 && (e = set_next(from, &at));) {
            PyObject *key = Py_NewRef(e->key);
            status = set_discard_hashed(s, key, e->hash);
            Py_DECREF(key);
        }
        Py_XDECREF(common);
        if (status < 0) return -1;
    }
    else {
        PyObject *key, *it = PyObject_GetIter(other);
        if (!it) return -1;
        while ((key = PyIter_Next(it))) {
            int status = set_discard_key(s, key);
            Py_DECREF(key);
            if (status < 0) break;
        }
        Py_DECREF(it);
        if (PyErr_Occurred()) return -1;
    }
    /* More than a quarter deleted entries: clean up. */
    if ((size_t)(s->fill - s->used) <= (size_t)s->mask / 4) return 0;
    return set_resize(s, s->used > 50000 ? s->used * 2 : s->used * 4);
}

static PyObject *set_subtract(PySetObject *s, PyObject *other)
{
    PyObject *result;
    Py_ssize_t n = PyAnySet_Check(other) ? SET(other)->used : PyDict_CheckExact(other) ? PyDict_GET_SIZE(other) : -1;
    if (n < 0 || s->used >> 2 > n) {                       /* copy, then take away what other has */
        result = set_make_base(Py_TYPE(s), OBJECT(s));
        if (result && set_subtract_from(SET(result), other) < 0) Py_CLEAR(result);
        return result;
    }
    if (!(result = set_make_base(Py_TYPE(s), NULL))) return NULL;
    Py_ssize_t at = 0;
    for (setentry *e; (e = set_next(s, &at));) {
        Py_hash_t hash = e->hash;
        PyObject *key = Py_NewRef(e->key), *value;
        int found;
        if (PyAnySet_Check(other)) found = set_contains_hashed(SET(other), key, hash);
        else {
            Py_ssize_t i = dict_find((PyDictObject *)other, key, hash, &value);
            found = i == DICT_ERROR ? -1 : i >= 0;
        }
        if (found == 0) found = set_add_hashed(SET(result), key, hash);
        Py_DECREF(key);
        if (found < 0) {
            Py_DECREF(result);
            return NULL;
        }
    }
    return result;
}

static int toggle(PySetObject *s, PyObject *key, Py_hash_t hash)
{
    Py_INCREF(key);
    int found = set_discard_hashed(s, key, hash);
    if (found == 0) found = set_add_hashed(s, key, hash);
    Py_DECREF(key);
    return found < 0 ? -1 : 0;
}

static int set_toggle_from(PySetObject *s, PyObject *other)
{
    if (OBJECT(s) == other) {
        set_empty(s);
        return 0;
    }
    if (PyDict_CheckExact(other)) {
        PyObject **e;
        PyDictObject *d = (PyDictObject *)other;
        for (Py_ssize_t at = 0; keys_next(d->ma_keys, &at, &e);)
            if (toggle(s, e[0], keys_entry_hash(d->ma_keys, e)) < 0) return -1;
        return 0;
    }
    PyObject *keys = PyAnySet_Check(other) ? Py_NewRef(other) : set_make_base(Py_TYPE(s), other);
    if (!keys) return -1;
    int status = 0;
    Py_ssize_t at = 0;
    for (setentry *e; status == 0 && (e = set_next(SET(keys), &at));) status = toggle(s, e->key, e->hash);
    Py_DECREF(keys);
    return status;
}

static PyObject *set_toggle(PySetObject *s, PyObject *other)
{
    PyObject *result = set_make_base(Py_TYPE(s), other);
    if (result && set_toggle_from(SET(result), OBJECT(s)) < 0) Py_CLEAR(result);
    return result;
}

#define OPERATOR(name, expression)                                                     \
    static PyObject *name(PyObject *a, PyObject *b)                                    \
    {                                                                                  \
        if (!PyAnySet_Check(a) || !PyAnySet_Check(b)) Py_RETURN_NOTIMPLEMENTED;        \
        return expression;                                                             \
    }
OPERATOR(set_sub, set_subtract(SET(a), b))
OPERATOR(set_and, set_intersect(SET(a), b))
OPERATOR(set_xor, set_toggle(SET(a), b))

static PyObject *set_or(PyObject *a, PyObject *b)
{
    if (!PyAnySet_Check(a) || !PyAnySet_Check(b)) Py_RETURN_NOTIMPLEMENTED;
    PyObject *result = set_make_base(Py_TYPE(a), a);
    if (result && a != b && set_update_from(SET(result), b) < 0) Py_CLEAR(result);
    return result;
}

#define INPLACE_OPERATOR(name, statement)                                              \
    static PyObject *name(PyObject *a, PyObject *b)                                    \
    {                                                                                  \
        if (!PyAnySet_Check(b)) Py_RETURN_NOTIMPLEMENTED;                              \
        return (statement) < 0 ? NULL : Py_NewRef(a);                                  \
    }

static int set_intersect_in_place(PySetObject *s, PyObject *other)
{
    PyObject *common = set_intersect(s, other);
    if (!common) return -1;
    set_swap_contents(s, SET(common));
    Py_DECREF(common);
    return 0;
}
INPLACE_OPERATOR(set_ior, set_update_from(SET(a), b))
INPLACE_OPERATOR(set_iand, set_intersect_in_place(SET(a), b))
INPLACE_OPERATOR(set_isub, set_subtract_from(SET(a), b))
INPLACE_OPERATOR(set_ixor, set_toggle_from(SET(a), b))

/* ---- methods of both ----------------------------------------------------------------------------------------------------------------- */

BUILTIN_O(set, __contains__, "($self, object, /)", "x.__contains__(y) <==> y in x.")
{
    int found = set_contains(self, arg);
    return found < 0 ? NULL : PyBool_FromLong(found);
}

BUILTIN_NOARGS(set, copy, "($self, /)", "Return a shallow copy of a set.") { return set_make_base(Py_TYPE(self), self); }

static PyObject *frozenset_copy(PyObject *self, PyObject *Py_UNUSED(unused))
{
    return PyFrozenSet_CheckExact(self) ? Py_NewRef(self) : set_make_base(Py_TYPE(self), self);
}

BUILTIN_FAST(set, union, "($self, /, *others)", "Return a new set with elements from the set and all others.")
{
    PyObject *result = set_make_base(Py_TYPE(self), self);
    for (Py_ssize_t i = 0; result && i < nargs; i++)
        if (args[i] != self && set_update_from(SET(result), args[i]) < 0) Py_CLEAR(result);
    return result;
}

BUILTIN_FAST(set, intersection, "($self, /, *others)", "Return a new set with elements common to the set and all others.")
{
    if (nargs == 0) return set_make_base(Py_TYPE(self), self);
    PyObject *result = Py_NewRef(self);
    for (Py_ssize_t i = 0; result && i < nargs; i++) {
        PyObject *next = set_intersect(SET(result), args[i]);
        Py_DECREF(result);
        result = next;
    }
    return result;
}

BUILTIN_FAST(set, difference, "($self, /, *others)", "Return a new set with elements in the set that are not in the others.")
{
    if (nargs == 0) return set_make_base(Py_TYPE(self), self);
    PyObject *result = set_subtract(SET(self), args[0]);
    for (Py_ssize_t i = 1; result && i < nargs; i++)
        if (set_subtract_from(SET(result), args[i]) < 0) Py_CLEAR(result);
    return result;
}

BUILTIN_O(set, symmetric_difference, "($self, other, /)", "Return a new set with elements in either the set or other but not both.")
{
    return set_toggle(SET(self), arg);
}

BUILTIN_O(set, isdisjoint, "($self, other, /)", "Return True if two sets have a null intersection.")
{
    if (self == arg) return PyBool_FromLong(SET(self)->used == 0);
    if (PyAnySet_CheckExact(arg)) {
        PySetObject *small = SET(arg), *large = SET(self);
        if (small->used > large->used) small = SET(self), large = SET(arg);
        Py_ssize_t at = 0;
        for (setentry *e; (e = set_next(small, &at));) {
            PyObject *key = Py_NewRef(e->key);
            int found = set_contains_hashed(large, key, e->hash);
            Py_DECREF(key);
            if (found) return found < 0 ? NULL : Py_False;
        }
        Py_RETURN_TRUE;
    }
    PyObject *key, *it = PyObject_GetIter(arg);
    if (!it) return NULL;
    int found = 0;
    while (!found && (key = PyIter_Next(it))) {
        found = set_contains_key(SET(self), key);
        Py_DECREF(key);
    }
    Py_DECREF(it);
    if (found < 0 || PyErr_Occurred()) return NULL;
    return PyBool_FromLong(!found);
}

BUILTIN_O(set, issubset, "($self, other, /)", "Report whether another set contains this set.")
{
    int result;
    if (PyAnySet_Check(arg)) result = is_subset(SET(self), SET(arg));
    else {
        PyObject *common = set_intersect(SET(self), arg);
        if (!common) return NULL;
        result = SET(common)->used == SET(self)->used;
        Py_DECREF(common);
    }
    return result < 0 ? NULL : PyBool_FromLong(result);
}

BUILTIN_O(set, issuperset, "($self, other, /)", "Report whether this set contains another set.")
{
    if (PyAnySet_Check(arg)) {
        int result = is_subset(SET(arg), SET(self));
        return result < 0 ? NULL : PyBool_FromLong(result);
    }
    PyObject *key, *it = PyObject_GetIter(arg);
    if (!it) return NULL;
    int found = 1;
    while (found > 0 && (key = PyIter_Next(it))) {
        found = set_contains_key(SET(self), key);
        Py_DECREF(key);
    }
    Py_DECREF(it);
    if (found < 0 || PyErr_Occurred()) return NULL;
    return PyBool_FromLong(found);
}

BUILTIN_NOARGS(set, __reduce__, "($self, /)", "Return state information for pickling.")
{
    PyObject *keys = PySequence_List(self), *state = NULL, *result = NULL;
    if (keys && (state = PyObject_CallMethodNoArgs(self, STR(__getstate__))))
        result = Py_BuildValue("O(O)O", Py_TYPE(self), keys, state);
    Py_XDECREF(keys);
    Py_XDECREF(state);
    return result;
}

BUILTIN_NOARGS(set, __sizeof__, "($self, /)", "S.__sizeof__() -> size of S in memory, in bytes.")
{
    size_t table = SET(self)->table == SET(self)->smalltable ? 0 : ((size_t)SET(self)->mask + 1) * sizeof(setentry);
    return PyLong_FromSize_t((size_t)Py_TYPE(self)->tp_basicsize + table);
}

/* ---- methods of set --------------------------------------------------------------------------------------------------------------------- */

BUILTIN_O(set, add, "($self, object, /)", "Add an element to a set.\n\nThis has no effect if the element is already present.")
{
    return set_add_key(SET(self), arg) < 0 ? NULL : Py_None;
}

BUILTIN_NOARGS(set, clear, "($self, /)", "Remove all elements from this set.")
{
    set_empty(SET(self));
    Py_RETURN_NONE;
}

BUILTIN_O(set, discard, "($self, object, /)", "Remove an element from a set if it is a member.")
{
    return set_discard_any(self, arg) < 0 ? NULL : Py_None;
}

BUILTIN_O(set, remove, "($self, object, /)", "Remove an element from a set; it must be a member.\n\nIf it is not, KeyError.")
{
    int found = set_discard_any(self, arg);
    if (found == 0) errors_set_key_error(arg);
    return found > 0 ? Py_None : NULL;
}

/* The finger remembers where the last search ended: popping everything is linear. */
BUILTIN_NOARGS(set, pop, "($self, /)", "Remove and return an arbitrary set element.\n\nRaises KeyError if the set is empty.")
{
    PySetObject *s = SET(self);
    if (s->used == 0) {
        PyErr_SetString(PyExc_KeyError, "pop from an empty set");
        return NULL;
    }
    Py_ssize_t i = s->finger & s->mask;
    while (!entry_is_live(&s->table[i])) i = (i + 1) & s->mask;
    PyObject *key = s->table[i].key;
    s->table[i].key = &set_dummy;
    s->table[i].hash = -1;
    s->used--;
    s->finger = i + 1;
    return key;
}

BUILTIN_FAST(set, update, "($self, /, *others)", "Update the set, adding elements from all others.")
{
    for (Py_ssize_t i = 0; i < nargs; i++)
        if (set_update_from(SET(self), args[i]) < 0) return NULL;
    Py_RETURN_NONE;
}

BUILTIN_FAST(set, intersection_update, "($self, /, *others)", "Update the set, keeping only elements found in it and all others.")
{
    PyObject *common = set_intersection(self, args, nargs);
    if (!common) return NULL;
    set_swap_contents(SET(self), SET(common));
    Py_DECREF(common);
    Py_RETURN_NONE;
}

BUILTIN_FAST(set, difference_update, "($self, /, *others)", "Update the set, removing elements found in others.")
{
    for (Py_ssize_t i = 0; i < nargs; i++)
        if (set_subtract_from(SET(self), args[i]) < 0) return NULL;
    Py_RETURN_NONE;
}

BUILTIN_O(set, symmetric_difference_update, "($self, other, /)",
          "Update the set, keeping only elements found in either set, but not in both.")
{
    return set_toggle_from(SET(self), arg) < 0 ? NULL : Py_None;
}

#define SHARED_METHODS                                                                                                      \
    METHOD_COEXIST(set, __contains__), METHOD(set, difference), METHOD(set, intersection), METHOD(set, isdisjoint),          \
    METHOD(set, issubset), METHOD(set, issuperset), METHOD(set, __reduce__), METHOD(set, __sizeof__),                        \
    METHOD(set, symmetric_difference), METHOD(set, union), CLASS_GETITEM

static PyMethodDef set_methods[] = {
    METHOD(set, add), METHOD(set, clear), METHOD(set, copy), METHOD(set, discard), METHOD(set, difference_update),
    METHOD(set, intersection_update), METHOD(set, pop), METHOD(set, remove), METHOD(set, symmetric_difference_update),
    METHOD(set, update), SHARED_METHODS, { 0 },
};
static PyMethodDef frozenset_methods[] = { { "copy", frozenset_copy, METH_NOARGS, set_copy_doc }, SHARED_METHODS, { 0 } };

/* ---- iterator ---------------------------------------------------------------------------------------------------------------------------- */

typedef struct SetIterator {
    PyObject_HEAD
    PySetObject *set;                         /* NULL when exhausted */
    Py_ssize_t used, at, left;
} SetIterator;

static PyObject *set_iter(PyObject *o)
{
    Thread *t = thread_get();
    SetIterator *it = (SetIterator *)gc_alloc(t, &PySetIter_Type, sizeof(SetIterator), 0);
    if (!it) return NULL;
    it->set = SET(Py_NewRef(o));
    it->used = it->left = SET(o)->used;
    it->at = 0;
    gc_track(t, OBJECT(it));
    return OBJECT(it);
}

static void setiter_dealloc(PyObject *o)
{
    Thread *t = thread_get();
    gc_untrack(t, o);
    Py_XDECREF(((SetIterator *)o)->set);
    gc_free(t, o, 0);
}

static int setiter_traverse(PyObject *o, visitproc visit, void *arg)
{
    Py_VISIT(((SetIterator *)o)->set);
    return 0;
}

static PyObject *setiter_next(PyObject *o)
{
    SetIterator *it = (SetIterator *)o;
    PySetObject *s = it->set;
    if (!s) return NULL;
    if (it->used != s->used) {
        PyErr_SetString(PyExc_RuntimeError, "Set changed size during iteration");
        it->used = -1;                                     /* and so it stays */
        return NULL;
    }
    setentry *e = set_next(s, &it->at);
    if (e) {
        it->left--;
        return Py_NewRef(e->key);
    }
    it->set = NULL;
    Py_DECREF(s);
    return NULL;
}

BUILTIN_NOARGS(setiter, __length_hint__, "($self, /)", "Private method returning an estimate of len(list(it)).")
{
    SetIterator *it = (SetIterator *)self;
    return PyLong_FromSsize_t(it->set && it->used == it->set->used ? it->left : 0);
}

BUILTIN_NOARGS(setiter, __reduce__, "($self, /)", "Return state information for pickling.")
{
    SetIterator *it = (SetIterator *)self;
    PyObject *iter = builtin_get("iter");
    if (!iter) return NULL;
    if (!it->set) return reduced_to_list(iter, PyList_New(0));
    SetIterator *copy = (SetIterator *)set_iter(OBJECT(it->set));
    if (copy) {                                            /* the copy runs to the end */
        copy->used = it->used;
        copy->at = it->at;
        copy->left = it->left;
    }
    return reduced_to_list(iter, OBJECT(copy));
}

static PyMethodDef setiter_methods[] = { METHOD(setiter, __length_hint__), METHOD(setiter, __reduce__), { 0 } };

PyTypeObject PySetIter_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "set_iterator",
    .tp_basicsize = sizeof(SetIterator),
    .tp_dealloc = setiter_dealloc,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = setiter_traverse,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = setiter_next,
    .tp_methods = setiter_methods,
};

/* ---- the types ------------------------------------------------------------------------------------------------------------------------------- */

static PySequenceMethods set_as_sequence = { .sq_length = set_length, .sq_contains = set_contains };
static PyNumberMethods set_as_number = {
    .nb_subtract = set_sub, .nb_and = set_and, .nb_xor = set_xor, .nb_or = set_or,
    .nb_inplace_subtract = set_isub, .nb_inplace_and = set_iand, .nb_inplace_xor = set_ixor, .nb_inplace_or = set_ior,
};
static PyNumberMethods frozenset_as_number = { .nb_subtract = set_sub, .nb_and = set_and, .nb_xor = set_xor, .nb_or = set_or };

#define SET_SLOTS                                                                                                             \
    .tp_basicsize = sizeof(PySetObject), .tp_dealloc = set_dealloc, .tp_repr = set_repr, .tp_as_sequence = &set_as_sequence,   \
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE | _Py_TPFLAGS_MATCH_SELF,                        \
    .tp_traverse = set_traverse, .tp_clear = set_tp_clear, .tp_richcompare = set_richcompare,                                  \
    .tp_weaklistoffset = offsetof(PySetObject, weakreflist), .tp_iter = set_iter, .tp_alloc = PyType_GenericAlloc,             \
    .tp_free = PyObject_GC_Del

PyTypeObject PySet_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "set",
    SET_SLOTS,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_as_number = &set_as_number,
    .tp_hash = PyObject_HashNotImplemented,
    .tp_doc = "set(iterable=(), /)\n--\n\nBuild an unordered collection of unique elements.",
    .tp_methods = set_methods,
    .tp_init = set_init,
    .tp_new = set_new,
    .tp_vectorcall = set_vectorcall,
};

PyTypeObject PyFrozenSet_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "frozenset",
    SET_SLOTS,
    .tp_as_number = &frozenset_as_number,
    .tp_hash = frozenset_hash,
    .tp_doc = "frozenset(iterable=(), /)\n--\n\nBuild an immutable unordered collection of unique elements.",
    .tp_methods = frozenset_methods,
    .tp_new = frozenset_new,
    .tp_vectorcall = frozenset_vectorcall,
};
