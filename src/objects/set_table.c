/* The table of set and frozenset: open addressing with short linear stretches (nine neighbours, then a jump by the perturbed
 * recurrence). The order of entries is that of CPython for the same history, because programs print sets.
 *
 * Invariants: fill counts live and deleted entries and stays below 3/5 of the slots; used counts the live ones; a slot never used
 * is all zero, a deleted one has key set_dummy and hash -1. A comparison may run any code: if the table or the entry is not the
 * same afterwards the search starts again. */
#include "objects/set_private.h"

enum { LINEAR_PROBES = 9, PERTURB_SHIFT = 5, BIG_SET = 50000 };

PyObject set_dummy = { .ob_refcnt = _Py_IMMORTAL_REFCNT, .ob_type = &PyBaseObject_Type };

/* 1 equal, 0 not, -1 exception, 2 the table changed. */
static inline int compare_entry(PySetObject *s, setentry *e, PyObject *key)
{
    PyObject *found = e->key;
    if (found == key) return 1;
    int simple = simple_key_equal(found, key);
    if (simple >= 0) return simple;
    setentry *table = s->table;
    Py_ssize_t mask = s->mask;
    Py_INCREF(found);
    int same = PyObject_RichCompareBool(found, key, Py_EQ);
    Py_DECREF(found);
    if (same < 0) return -1;
    if (s->table != table || s->mask != mask || e->key != found) return 2;
    return same;
}

/* The entry of key, or the unused entry that ends the search; NULL with an exception. */
static setentry *find_entry(PySetObject *s, PyObject *key, Py_hash_t hash)
{
restart:;
    size_t mask = (size_t)s->mask, i = (size_t)hash & mask, perturb = (size_t)hash;
    for (;;) {
        setentry *e = &s->table[i];
        int probes = i + LINEAR_PROBES <= mask ? LINEAR_PROBES : 0;
        do {
            if (e->hash == 0 && !e->key) return e;
            if (e->hash == hash) {
                int same = compare_entry(s, e, key);
                if (same == 1) return e;
                if (same < 0) return NULL;
                if (same == 2) goto restart;
            }
            e++;
        } while (probes--);
        perturb >>= PERTURB_SHIFT;
        i = (i * 5 + 1 + perturb) & mask;
    }
}

/* Into a table without deleted entries that lacks the key; the reference moves. */
static void insert_clean(setentry *table, size_t mask, PyObject *key, Py_hash_t hash)
{
    size_t i = (size_t)hash & mask, perturb = (size_t)hash;
    for (;;) {
        setentry *e = &table[i];
        int probes = i + LINEAR_PROBES <= mask ? LINEAR_PROBES : 0;
        do {
            if (!e->key) {
                e->key = key;
                e->hash = hash;
                return;
            }
            e++;
        } while (probes--);
        perturb >>= PERTURB_SHIFT;
        i = (i * 5 + 1 + perturb) & mask;
    }
}

int set_resize(PySetObject *s, Py_ssize_t min_used)
{
    size_t size = PySet_MINSIZE;
    while (size <= (size_t)min_used) size <<= 1;
    setentry *old = s->table, *table, copy[PySet_MINSIZE];
    bool was_small = old == s->smalltable;
    Py_ssize_t old_mask = s->mask;
    if (size == PySet_MINSIZE) {
        table = s->smalltable;
        if (was_small) {
            if (s->fill == s->used) return 0;              /* no deleted entries to get rid of */
            memcpy(copy, old, sizeof copy);
            old = copy;
        }
    }
    else {
        table = size <= PY_SSIZE_T_MAX / sizeof(setentry) ? PyMem_Malloc(size * sizeof(setentry)) : NULL;
        if (!table) {
            PyErr_NoMemory();
            return -1;
        }
    }
    memset(table, 0, size * sizeof(setentry));
    s->mask = (Py_ssize_t)size - 1;
    s->table = table;
    s->fill = s->used;
    for (setentry *e = old; e <= old + old_mask; e++)
        if (entry_is_live(e)) insert_clean(table, size - 1, e->key, e->hash);
    if (!was_small) PyMem_Free(old);
    return 0;
}

int set_add_hashed(PySetObject *s, PyObject *key, Py_hash_t hash)
{
    Py_INCREF(key);                                        /* a comparison may drop its last other reference */
    setentry *e = find_entry(s, key, hash);
    if (!e || e->key) {
        Py_DECREF(key);
        return e ? 0 : -1;
    }
    s->fill++;
    s->used++;
    e->key = key;
    e->hash = hash;
    if (LIKELY((size_t)s->fill * 5 < (size_t)s->mask * 3)) return 0;
    return set_resize(s, s->used > BIG_SET ? s->used * 2 : s->used * 4);
}

int set_contains_hashed(PySetObject *s, PyObject *key, Py_hash_t hash)
{
    setentry *e = find_entry(s, key, hash);
    return e ? e->key != NULL : -1;
}

int set_discard_hashed(PySetObject *s, PyObject *key, Py_hash_t hash)
{
    setentry *e = find_entry(s, key, hash);
    if (!e) return -1;
    PyObject *old = e->key;
    if (!old) return 0;
    e->key = &set_dummy;
    e->hash = -1;
    s->used--;
    Py_DECREF(old);
    return 1;
}

int set_merge_set(PySetObject *s, PySetObject *other)
{
    if (other == s || other->used == 0) return 0;
    /* One growth in place of several; it may be twice too large when many keys are in both. */
    if ((s->fill + other->used) * 5 >= s->mask * 3 && set_resize(s, (s->used + other->used) * 2) < 0) return -1;
    if (s->fill == 0 && s->mask == other->mask && other->fill == other->used) {
        for (Py_ssize_t i = 0; i <= other->mask; i++) {
            s->table[i].key = Py_XNewRef(other->table[i].key);
            s->table[i].hash = other->table[i].hash;
        }
        s->fill = s->used = other->used;
        return 0;
    }
    if (s->fill == 0) {
        s->fill = s->used = other->used;
        for (Py_ssize_t i = 0; i <= other->mask; i++) {
            setentry *e = &other->table[i];
            if (entry_is_live(e)) insert_clean(s->table, (size_t)s->mask, Py_NewRef(e->key), e->hash);
        }
        return 0;
    }
    for (Py_ssize_t i = 0; i <= other->mask; i++) {        /* other may change while keys are compared */
        setentry *e = &other->table[i];
        if (entry_is_live(e) && set_add_hashed(s, e->key, e->hash) < 0) return -1;
    }
    return 0;
}

int set_merge_dict(PySetObject *s, PyDictObject *d)
{
    PyObject **e;
    if ((s->fill + d->ma_used) * 5 >= s->mask * 3 && set_resize(s, (s->used + d->ma_used) * 2) < 0) return -1;
    for (Py_ssize_t at = 0; keys_next(d->ma_keys, &at, &e);)
        if (set_add_hashed(s, e[0], keys_entry_hash(d->ma_keys, e)) < 0) return -1;
    return 0;
}

static void make_empty(PySetObject *s)
{
    memset(s->smalltable, 0, sizeof s->smalltable);
    s->fill = s->used = 0;
    s->mask = PySet_MINSIZE - 1;
    s->table = s->smalltable;
    s->hash = -1;
}

/* The keys are released when the set is empty already: releasing may run code that uses the set. */
void set_empty(PySetObject *s)
{
    setentry *table = s->table, copy[PySet_MINSIZE];
    Py_ssize_t mask = s->mask, used = s->used;
    bool small = table == s->smalltable;
    if (s->fill == 0 && small) return;
    if (small) {
        memcpy(copy, table, sizeof copy);
        table = copy;
    }
    make_empty(s);
    for (setentry *e = table; used > 0; e++) {
        assert(e <= table + mask);
        if (!entry_is_live(e)) continue;
        used--;
        Py_DECREF(e->key);
    }
    (void)mask;
    if (!small) PyMem_Free(table);
}

void set_swap_contents(PySetObject *a, PySetObject *b)
{
    setentry small[PySet_MINSIZE], *a_table = a->table == a->smalltable ? b->smalltable : a->table;
    setentry *b_table = b->table == b->smalltable ? a->smalltable : b->table;
    Py_ssize_t fill = a->fill, used = a->used, mask = a->mask;
    memcpy(small, a->smalltable, sizeof small);
    memcpy(a->smalltable, b->smalltable, sizeof small);
    memcpy(b->smalltable, small, sizeof small);
    a->fill = b->fill, a->used = b->used, a->mask = b->mask, a->table = b_table;
    b->fill = fill, b->used = used, b->mask = mask, b->table = a_table;
    Py_hash_t hash = a->hash;
    bool frozen = PyFrozenSet_Check(OBJECT(a)) && PyFrozenSet_Check(OBJECT(b));
    a->hash = frozen ? b->hash : -1;
    b->hash = frozen ? hash : -1;
}
