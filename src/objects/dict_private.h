/* The table of dict, for dict*.c only. */
#ifndef TAIPAN_OBJECTS_DICT_PRIVATE_H
#define TAIPAN_OBJECTS_DICT_PRIVATE_H

#include "objects/dict.h"
#include "objects/containers_private.h"

enum { KEYS_INLINE_ALLOC = 1024 };                /* blocks up to here come from the page heap directly */

static inline Py_ssize_t keys_capacity(const DictKeys *k)
{
    return LIKELY(k->log2 == DICT_SMALL_LOG2) ? k->small_capacity : (Py_ssize_t)(((size_t)2 << k->log2) / 3);
}

static inline size_t keys_bytes(const DictKeys *k)
{
    return sizeof(DictKeys) + ((size_t)1 << k->entries_shift) + (size_t)keys_capacity(k) * k->stride * sizeof(PyObject *);
}

/* Frees the block alone; its references were moved or released. */
static inline void keys_release(DictKeys *k)
{
    if (k == &dict_empty_keys) return;
    if (keys_bytes(k) <= KEYS_INLINE_ALLOC) heap_free(k);
    else PyMem_Free(k);
}

static inline Py_hash_t keys_entry_hash(const DictKeys *k, PyObject *const *entry)
{
    return k->stride == DICT_STR_STRIDE ? ((PyASCIIObject *)entry[0])->hash : (Py_hash_t)(intptr_t)entry[2];
}

/* -1 with TypeError "unhashable type". */
static inline Py_hash_t key_hash(PyObject *key)
{
    return quick_hash(key);
}

/* An empty table for n entries to come, exactly fitting while small; NULL with MemoryError. */
DictKeys *keys_new_for(Thread *t, Py_ssize_t n, unsigned stride);
/* Adds a key that is absent. key and value borrowed. 0 or -1. */
int dict_add(Thread *t, PyDictObject *d, PyObject *key, Py_hash_t hash, PyObject *value);
/* The same for an exact str in a table of strs; slot: the unused one that the search for it ended at. */
int dict_add_str(Thread *t, PyDictObject *d, PyObject *key, Py_hash_t hash, PyObject *value, size_t slot);
/* Takes entry i out of the table; *key and *value become the caller's to release. Watchers are told before, by the caller. */
void dict_take_entry(Thread *t, PyDictObject *d, Py_ssize_t i, PyObject **key, PyObject **value);
/* The last entry that is not deleted (there must be one); and where the next search for it, after that entry was deleted, may start. */
Py_ssize_t keys_last_live(const DictKeys *k);
void keys_leave_hint(DictKeys *k, Py_ssize_t i);
/* Rebuilds the table with room for used + extra entries. 0 or -1. */
int dict_reserve(Thread *t, PyDictObject *d, Py_ssize_t extra, unsigned stride);
/* A copy of the table with its references, deleted entries left out when there are many. NULL with MemoryError. */
DictKeys *keys_clone(Thread *t, const PyDictObject *d);
/* Releases the references and the block. */
void keys_destroy(DictKeys *k);
/* Entry of key; as dict_find, hash computed. *hash_out too. */
void dict_notify_slow(Thread *t, PyDict_WatchEvent event, PyDictObject *d, PyObject *key, PyObject *value);

/* A modification is about to happen: watchers hear of it. */
static inline void dict_notify(Thread *t, PyDict_WatchEvent event, PyDictObject *d, PyObject *key, PyObject *value)
{
    if (UNLIKELY(*dict_tag(d) & 0xff)) dict_notify_slow(t, event, d, key, value);
}

static inline void dict_touch(Thread *t, PyDictObject *d)
{
    uint64_t *tag = dict_tag(d);
    *tag = (t->ts.interp->objects.dicts.version += 1 << 12) | (*tag & 0xfff);
}

static inline void dict_track_for(Thread *t, PyDictObject *d, PyObject *key, PyObject *value)
{
    if ((gc_may_be_tracked(value) || gc_may_be_tracked(key)) && !gc_is_tracked(OBJECT(d))) gc_track(t, OBJECT(d));
}

/* The next entry from *at on that is not deleted; false at the end. Borrowed. */
static inline bool keys_next(const DictKeys *k, Py_ssize_t *at, PyObject ***entry)
{
    Py_ssize_t i = *at;
    PyObject **e = keys_entry(k, i);
    while (i < k->count && !e[1]) {
        i++;
        e += k->stride;
    }
    if (i >= k->count) {
        *at = i;
        return false;
    }
    *at = i + 1;
    *entry = e;
    return true;
}

/* Replaces the value of entry i, whatever the kind of table; key is what watchers are told. */
void dict_set_value_at_any(PyDictObject *d, Py_ssize_t i, PyObject *key, PyObject *value);
int dict_merge(PyDictObject *d, PyObject *other, int override);   /* override: 0 keep, 1 replace, 2 KeyError on duplicates */

#endif
