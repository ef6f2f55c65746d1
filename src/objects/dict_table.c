/* The table of dict: lookup, insertion, removal, growth. Layout in dict.h.
 *
 * Invariants: at least a third of the index slots is unused, so every probe ends; entries[0 .. count) are in order of insertion;
 * a deleted entry has value NULL and its slot says DICT_DELETED for ever (count never goes down, so the used slots are at most as many
 * as there is room for entries); ma_used counts the others. The empty dict shares one
 * constant table without room. A comparison may run any code: the lookup goes on only while table and key are still the ones it
 * compared, and starts again otherwise. Probing is the perturbed sequence i = 5i + perturb + 1 (Knuth's full-period recurrence
 * fed with the hash's upper bits). */
#include "objects/dict_private.h"

/* One slot a would-be entry: lookups need no test for emptiness. Its version is 1 for ever: it has no keys, and never will. */
const DictKeys dict_empty_keys = { .version = 1, .log2 = DICT_SMALL_LOG2, .stride = DICT_STR_STRIDE, .entries_shift = 3,
                                   .index = { -1, -1, -1, -1, -1, -1, -1, -1 } };

/* ---- blocks ------------------------------------------------------------------------------------------------------- */

static DictKeys *keys_new(Thread *t, unsigned log2, unsigned stride, unsigned small_capacity)
{
    unsigned width = log2 < 8 ? 0 : log2 < 16 ? 1 : log2 < 32 ? 2 : 3;
    if (log2 > 56) return (DictKeys *)PyErr_NoMemory();
    DictKeys head = { .log2 = (uint8_t)log2, .stride = (uint8_t)stride, .entries_shift = (uint8_t)(log2 + width),
                      .small_capacity = (uint8_t)small_capacity };
    size_t bytes = keys_bytes(&head);
    DictKeys *k = bytes <= KEYS_INLINE_ALLOC ? heap_alloc(t->heap, PAGE_PLAIN, bytes) : PyMem_Malloc(bytes);
    if (!k) return (DictKeys *)PyErr_NoMemory();
    memcpy(k, &head, sizeof head);
    memset(k->index, 0xff, (size_t)1 << k->entries_shift);
    return k;
}

static unsigned log2_for_slots(size_t slots)
{
    return slots <= 8 ? DICT_SMALL_LOG2 : 64u - (unsigned)__builtin_clzll(slots - 1);
}

DictKeys *keys_new_for(Thread *t, Py_ssize_t n, unsigned stride)
{
    if (n <= 5) return keys_new(t, DICT_SMALL_LOG2, stride, n < 1 ? 1 : (unsigned)n);
    if (n > PY_SSIZE_T_MAX / 64) return (DictKeys *)PyErr_NoMemory();
    return keys_new(t, log2_for_slots(((size_t)n * 3 + 1) / 2), stride, 0);
}

static inline void keys_set_index(DictKeys *k, size_t slot, Py_ssize_t value)
{
    if (LIKELY(k->log2 < 8)) ((int8_t *)k->index)[slot] = (int8_t)value;
    else if (k->log2 < 16) ((int16_t *)k->index)[slot] = (int16_t)value;
    else if (k->log2 < 32) ((int32_t *)k->index)[slot] = (int32_t)value;
    else ((int64_t *)k->index)[slot] = value;
}

/* Enters number i for a hash whose key is absent. */
static inline void keys_index_insert(DictKeys *k, Py_hash_t hash, Py_ssize_t i)
{
    size_t mask = ((size_t)1 << k->log2) - 1, perturb = (size_t)hash, slot = perturb & mask;
    while (keys_index_at(k, slot) >= 0) {
        perturb >>= 5;
        slot = (slot * 5 + perturb + 1) & mask;
    }
    keys_set_index(k, slot, i);
}

/* The slot that holds entry number i. */
static size_t keys_slot_of(const DictKeys *k, Py_hash_t hash, Py_ssize_t i)
{
    size_t mask = ((size_t)1 << k->log2) - 1, perturb = (size_t)hash, slot = perturb & mask;
    while (keys_index_at(k, slot) != i) {
        perturb >>= 5;
        slot = (slot * 5 + perturb + 1) & mask;
    }
    return slot;
}

void keys_destroy(DictKeys *k)
{
    if (k == &dict_empty_keys) return;
    PyObject **e = keys_entries(k);
    for (Py_ssize_t i = 0, n = k->count; i < n; i++, e += k->stride) {
        if (!e[1]) continue;
        Py_DECREF(e[0]);
        Py_DECREF(e[1]);
    }
    keys_release(k);
}

/* Copies the live entries of one table into an empty one that has room; references are copied, not counted. */
static void keys_fill(DictKeys *to, const DictKeys *from)
{
    PyObject **source = keys_entries(from), **e = keys_entries(to);
    Py_ssize_t n = 0;
    for (Py_ssize_t i = 0; i < from->count; i++, source += from->stride) {
        if (!source[1]) continue;
        Py_hash_t hash = keys_entry_hash(from, source);
        e[0] = source[0];
        e[1] = source[1];
        if (to->stride == DICT_GENERAL_STRIDE) e[2] = (PyObject *)(intptr_t)hash;
        keys_index_insert(to, hash, n++);
        e += to->stride;
    }
    to->count = n;
}

DictKeys *keys_clone(Thread *t, const PyDictObject *d)
{
    const DictKeys *from = d->ma_keys;
    DictKeys *k;
    if (from == &dict_empty_keys || d->ma_used == 0) return (DictKeys *)&dict_empty_keys;
    if (d->ma_used == from->count && from->log2 > DICT_SMALL_LOG2) {
        if (!(k = keys_new(t, from->log2, from->stride, 0))) return NULL;
        size_t index_bytes = (size_t)1 << from->entries_shift;
        memcpy(k->index, from->index, index_bytes + (size_t)from->count * from->stride * sizeof(PyObject *));
        k->count = from->count;
    }
    else {
        if (!(k = keys_new_for(t, d->ma_used, from->stride))) return NULL;
        keys_fill(k, from);
    }
    PyObject **e = keys_entries(k);
    for (Py_ssize_t i = 0; i < k->count; i++, e += k->stride) {
        Py_INCREF(e[0]);
        Py_INCREF(e[1]);
    }
    return k;
}

/* ---- lookup ------------------------------------------------------------------------------------------------------- */

/* 1 the same key, 0 another, -1 exception, 2: the table changed meanwhile. */
static NOINLINE int compare_key(PyDictObject *d, DictKeys *k, Py_ssize_t i, PyObject *found, PyObject *key)
{
    unsigned log2 = k->log2;
    Py_INCREF(found);
    int same = PyObject_RichCompareBool(found, key, Py_EQ);
    Py_DECREF(found);
    if (same < 0) return -1;
    DictKeys *now = d->ma_keys;
    if (now != k || now->log2 != log2 || i >= now->count || keys_entry(now, i)[0] != found) return 2;
    return same;
}

/* Any key in a table of either kind; a str subclass or an int may equal a str. */
static Py_ssize_t find_general(PyDictObject *d, PyObject *key, Py_hash_t hash)
{
restart:;
    DictKeys *k = d->ma_keys;
    size_t mask = ((size_t)1 << k->log2) - 1, perturb = (size_t)hash, slot = perturb & mask;
    bool key_is_str = dict_is_str(key);
    for (;;) {
        Py_ssize_t i = keys_index_at(k, slot);
        if (i >= 0) {
            PyObject **e = keys_entry(k, i);
            if (e[0] == key) return i;
            if (keys_entry_hash(k, e) == hash) {
                if (key_is_str && dict_is_str(e[0])) {
                    if (dict_str_same(e[0], key)) return i;
                }
                else {
                    unsigned stride = k->stride;
                    int same = simple_key_equal(e[0], key);
                    if (same == 1) return i;
                    if (same < 0) same = compare_key(d, k, i, e[0], key);
                    if (same < 0) return DICT_ERROR;
                    if (same == 2 || k->stride != stride) goto restart;
                    if (same) return i;
                }
            }
        }
        else if (i == DICT_UNUSED) return DICT_UNUSED;
        perturb >>= 5;
        slot = (slot * 5 + perturb + 1) & mask;
    }
}

Py_ssize_t dict_find(PyDictObject *d, PyObject *key, Py_hash_t hash, PyObject **value)
{
    Py_ssize_t i = d->ma_keys->stride == DICT_STR_STRIDE && dict_is_str(key) ? keys_find_str(d->ma_keys, key, hash)
                                                                             : find_general(d, key, hash);
    *value = i >= 0 ? keys_entry(d->ma_keys, i)[1] : NULL;
    return i;
}

/* ---- change ------------------------------------------------------------------------------------------------------- */

/* Moves the entries of d into k, which has room. */
static void dict_move_to(PyDictObject *d, DictKeys *k)
{
    DictKeys *old = d->ma_keys;
    keys_fill(k, old);
    d->ma_keys = k;
    keys_release(old);
}

int dict_reserve(Thread *t, PyDictObject *d, Py_ssize_t extra, unsigned stride)
{
    if (d->ma_keys->stride > stride) stride = d->ma_keys->stride;
    DictKeys *k = keys_new_for(t, d->ma_used + extra, stride);
    if (!k) return -1;
    dict_move_to(d, k);
    return 0;
}

/* Sizes: 5, then the power of two at or above three times what is used, so that growing doubles and a table full of deleted
 * entries shrinks. */
static NOINLINE int dict_grow(Thread *t, PyDictObject *d, unsigned stride)
{
    Py_ssize_t used = d->ma_used;
    if (d->ma_keys->stride > stride && used) stride = d->ma_keys->stride;
    DictKeys *k;
    if (used < 5) k = keys_new(t, DICT_SMALL_LOG2, stride, 5);
    else k = keys_new(t, log2_for_slots((size_t)used * 3), stride, 0);
    if (!k) return -1;
    dict_move_to(d, k);
    return 0;
}

/* Appends the entry; its place in the index is entered already. */
static ALWAYS_INLINE void append_entry(Thread *t, PyDictObject *d, PyObject *key, Py_hash_t hash, PyObject *value)
{
    DictKeys *k = d->ma_keys;
    PyObject **e = keys_entry(k, k->count);
    e[0] = Py_NewRef(key);
    e[1] = Py_NewRef(value);
    if (k->stride == DICT_GENERAL_STRIDE) e[2] = (PyObject *)(intptr_t)hash;
    k->count++;
    k->version = 0;
    d->ma_used++;
    dict_touch(t, d);
    dict_track_for(t, d, key, value);
}

int dict_add(Thread *t, PyDictObject *d, PyObject *key, Py_hash_t hash, PyObject *value)
{
    dict_notify(t, PyDict_EVENT_ADDED, d, key, value);
    DictKeys *k = d->ma_keys;
    unsigned stride = dict_is_str(key) ? DICT_STR_STRIDE : DICT_GENERAL_STRIDE;
    if (UNLIKELY(k->count >= keys_capacity(k) || k->stride < stride)) {
        if (dict_grow(t, d, stride) < 0) return -1;
        k = d->ma_keys;
    }
    keys_index_insert(k, hash, k->count);
    append_entry(t, d, key, hash, value);
    return 0;
}

int dict_add_str(Thread *t, PyDictObject *d, PyObject *key, Py_hash_t hash, PyObject *value, size_t slot)
{
    DictKeys *k = d->ma_keys;
    if (UNLIKELY(k->count >= keys_capacity(k) || *dict_tag(d) & 0xff)) return dict_add(t, d, key, hash, value);
    keys_set_index(k, slot, k->count);
    append_entry(t, d, key, hash, value);
    return 0;
}

void dict_take_entry(Thread *t, PyDictObject *d, Py_ssize_t i, PyObject **key, PyObject **value)
{
    DictKeys *k = d->ma_keys;
    PyObject **e = keys_entry(k, i);
    keys_set_index(k, keys_slot_of(k, keys_entry_hash(k, e), i), DICT_DELETED);
    *key = e[0];
    *value = e[1];
    e[0] = e[1] = NULL;
    k->version = 0;
    d->ma_used--;
    dict_touch(t, d);
}

/* ---- popitem ------------------------------------------------------------------------------------------------------ */

/* Popping everything must not look at all deleted entries again and again: the last entry, when it is deleted, may hold in place
 * of its key the number of the entry in front of which to go on, with the lowest bit set. */
Py_ssize_t keys_last_live(const DictKeys *k)
{
    Py_ssize_t i = k->count - 1;
    for (PyObject **e; !(e = keys_entry(k, i))[1]; i--)
        if ((uintptr_t)e[0] & 1) i = (Py_ssize_t)((uintptr_t)e[0] >> 1);
    return i;
}

void keys_leave_hint(DictKeys *k, Py_ssize_t i)
{
    if (i != k->count - 1) keys_entry(k, k->count - 1)[0] = (PyObject *)((uintptr_t)i << 1 | 1);
}

/* ---- versions, watchers ------------------------------------------------------------------------------------------- */

uint32_t dict_keys_version(PyDictObject *d)
{
    DictKeys *k = d->ma_keys;
    DictState *state = &interp_get()->objects.dicts;
    if (k->version) return k->version;
    if (state->keys_version == UINT32_MAX) return 0;
    if (state->keys_version == 0) state->keys_version = 1;         /* 1 is the empty table's */
    return k->version = ++state->keys_version;
}

COLD NOINLINE void dict_notify_slow(Thread *t, PyDict_WatchEvent event, PyDictObject *d, PyObject *key, PyObject *value)
{
    DictState *state = &t->ts.interp->objects.dicts;
    unsigned bits = *dict_tag(d) & 0xff;
    for (int i = 0; bits; i++, bits >>= 1) {
        if (!(bits & 1)) continue;
        PyDict_WatchCallback callback = state->watchers[i];
        if (callback && callback(event, OBJECT(d), key, value) < 0) {
            static const char *const names[] = { "ADDED", "MODIFIED", "DELETED", "CLONED", "CLEARED", "DEALLOCATED" };
            PyErr_FormatUnraisable("Exception ignored in PyDict_EVENT_%s watcher callback for <dict at %p>", names[event], d);
        }
    }
}

static int watcher_check(DictState *state, int watcher_id)
{
    if (watcher_id < 0 || watcher_id >= DICT_WATCHERS) {
        PyErr_Format(PyExc_ValueError, "Invalid dict watcher ID %d", watcher_id);
        return -1;
    }
    if (!state->watchers[watcher_id]) {
        PyErr_Format(PyExc_ValueError, "No dict watcher set for ID %d", watcher_id);
        return -1;
    }
    return 0;
}

int PyDict_AddWatcher(PyDict_WatchCallback callback)
{
    DictState *state = &interp_get()->objects.dicts;
    for (int i = 2; i < DICT_WATCHERS; i++) {                /* the first two are the core's own, as in CPython */
        if (!state->watchers[i]) {
            state->watchers[i] = callback;
            return i;
        }
    }
    PyErr_SetString(PyExc_RuntimeError, "no more dict watcher IDs available");
    return -1;
}

int PyDict_ClearWatcher(int watcher_id)
{
    DictState *state = &interp_get()->objects.dicts;
    if (watcher_check(state, watcher_id) < 0) return -1;
    state->watchers[watcher_id] = NULL;
    return 0;
}

int PyDict_Watch(int watcher_id, PyObject *dict)
{
    if (!PyDict_Check(dict)) {
        PyErr_SetString(PyExc_ValueError, "Cannot watch non-dictionary");
        return -1;
    }
    if (watcher_check(&interp_get()->objects.dicts, watcher_id) < 0) return -1;
    *dict_tag((PyDictObject *)dict) |= (uint64_t)1 << watcher_id;
    return 0;
}

int PyDict_Unwatch(int watcher_id, PyObject *dict)
{
    if (!PyDict_Check(dict)) {
        PyErr_SetString(PyExc_ValueError, "Cannot watch non-dictionary");
        return -1;
    }
    if (watcher_check(&interp_get()->objects.dicts, watcher_id) < 0) return -1;
    *dict_tag((PyDictObject *)dict) &= ~((uint64_t)1 << watcher_id);
    return 0;
}
