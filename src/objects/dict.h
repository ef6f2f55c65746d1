/* dict: what the rest of Taipan may use beyond PyDict_*. The table is described in dict_table.c.
 *
 * A table (DictKeys) is one block: header, index, entries. The index holds, a slot, the number of an entry, -1 for "never
 * used" or -2 for "deleted". Entries stand in order of insertion and are two words {key, value} while every key is an exact
 * str (the hash is in the str), three words {key, value, hash} otherwise. A deleted entry has value NULL; its key means
 * nothing.
 *
 *   DictKeys | int8/16/32/64 index[1 << log2] | entry 0 | entry 1 | ... | room for capacity - count more
 */
#ifndef TAIPAN_OBJECTS_DICT_H
#define TAIPAN_OBJECTS_DICT_H

#include "taipan.h"

#include <string.h>

enum { DICT_WATCHERS = 8, DICT_SMALL_LOG2 = 3, DICT_STR_STRIDE = 2, DICT_GENERAL_STRIDE = 3 };
enum { DICT_UNUSED = -1, DICT_DELETED = -2, DICT_ERROR = -3 };

typedef struct _dictkeysobject {
    uint32_t version;                 /* 0: none given. Changes with the set of keys and their positions, not with values */
    uint8_t log2;                     /* slots of the index */
    uint8_t stride;                   /* words an entry */
    uint8_t entries_shift;            /* bytes of the index are 1 << entries_shift */
    uint8_t small_capacity;           /* of tables with DICT_SMALL_LOG2; the others hold two thirds of their slots */
    Py_ssize_t count;                 /* entries in use, deleted ones included */
    char index[];
} DictKeys;

typedef struct DictState {
    uint64_t version;                 /* last ma_version_tag, in steps of 1 << 12 */
    uint32_t keys_version;            /* last version given to a table */
    PyDict_WatchCallback watchers[DICT_WATCHERS];
} DictState;

extern const DictKeys dict_empty_keys;

_Static_assert(offsetof(PyDictObject, ma_used) == 16 && offsetof(PyDictObject, ma_keys) == 32 && sizeof(PyDictObject) == 48,
               "PyDictObject as Python.h lays it out");

/* ma_version_tag: bits 0-7 watchers, the rest changes with every modification. (The header marks the field deprecated.) */
static inline uint64_t *dict_tag(PyDictObject *d) { return (uint64_t *)((char *)d + 24); }

static inline PyObject **keys_entries(const DictKeys *k)
{
    return (PyObject **)(k->index + ((size_t)1 << k->entries_shift));
}
/* {key, value[, hash]} of entry i. */
static inline PyObject **keys_entry(const DictKeys *k, Py_ssize_t i) { return keys_entries(k) + i * k->stride; }

static inline Py_ssize_t keys_index_at(const DictKeys *k, size_t slot)
{
    if (LIKELY(k->log2 < 8)) return ((const int8_t *)k->index)[slot];
    if (k->log2 < 16) return ((const int16_t *)k->index)[slot];
    if (k->log2 < 32) return ((const int32_t *)k->index)[slot];
    return (Py_ssize_t)((const int64_t *)k->index)[slot];
}

static inline bool dict_is_str(PyObject *o) { return Py_IS_TYPE(o, &PyUnicode_Type); }

/* Hash of an exact str: read from it, computed the first time. -1 never (no memory is needed). */
static inline Py_hash_t dict_str_hash(PyObject *str)
{
    Py_hash_t hash = ((PyASCIIObject *)str)->hash;
    return LIKELY(hash != -1) ? hash : PyObject_Hash(str);
}

/* Two different exact strs of equal hash. */
/* memcmp for short text, without the call. */
static ALWAYS_INLINE bool memory_same(const char *a, const char *b, size_t n)
{
    uint64_t x, y;
    if (n >= 8) {
        if (n > 64) return memcmp(a, b, n) == 0;
        for (size_t i = 0; i + 8 < n; i += 8) {
            memcpy(&x, a + i, 8);
            memcpy(&y, b + i, 8);
            if (x != y) return false;
        }
        memcpy(&x, a + n - 8, 8);
        memcpy(&y, b + n - 8, 8);
        return x == y;
    }
    if (n >= 4) {
        uint32_t low_a, low_b, high_a, high_b;
        memcpy(&low_a, a, 4);
        memcpy(&low_b, b, 4);
        memcpy(&high_a, a + n - 4, 4);
        memcpy(&high_b, b + n - 4, 4);
        return low_a == low_b && high_a == high_b;
    }
    for (size_t i = 0; i < n; i++)
        if (a[i] != b[i]) return false;
    return true;
}

static inline bool dict_str_same(PyObject *a, PyObject *b)
{
    Py_ssize_t n = PyUnicode_GET_LENGTH(a);
    return n == PyUnicode_GET_LENGTH(b) && PyUnicode_KIND(a) == PyUnicode_KIND(b) &&
           memory_same(PyUnicode_DATA(a), PyUnicode_DATA(b), (size_t)n * PyUnicode_KIND(a));
}

/* Entry of key, an exact str with that hash, in a table of str keys. DICT_UNUSED: absent, and *end is the unused slot that ended the
 * search. Runs no other code. */
static ALWAYS_INLINE Py_ssize_t keys_find_str_slot(const DictKeys *k, PyObject *key, Py_hash_t hash, size_t *end)
{
    size_t mask = ((size_t)1 << k->log2) - 1, perturb = (size_t)hash, slot = perturb & mask;
    PyObject **entries = keys_entries(k);
    for (;;) {
        Py_ssize_t i = keys_index_at(k, slot);
        if (LIKELY(i >= 0)) {
            PyObject *other = entries[i * DICT_STR_STRIDE];
            if (LIKELY(other == key)) return i;
            if (((PyASCIIObject *)other)->hash == hash && dict_str_same(other, key)) return i;
        }
        else if (i == DICT_UNUSED) {
            *end = slot;
            return DICT_UNUSED;
        }
        perturb >>= 5;
        slot = (slot * 5 + perturb + 1) & mask;
    }
}

static inline Py_ssize_t keys_find_str(const DictKeys *k, PyObject *key, Py_hash_t hash)
{
    size_t end;
    return keys_find_str_slot(k, key, hash, &end);
}

/* Entry of key (any object with that hash): its number, DICT_UNUSED, or DICT_ERROR with an exception. *value is BORROWED, NULL
 * when absent. May run __eq__ of keys; what it returns is right for the table as it is on return. */
Py_ssize_t dict_find(PyDictObject *d, PyObject *key, Py_hash_t hash, PyObject **value);

/* BORROWED; key is an exact str. NULL: absent, or (only with keys that are not str) an exception. */
static inline PyObject *dict_get_str(PyDictObject *d, PyObject *key)
{
    if (LIKELY(d->ma_keys->stride == DICT_STR_STRIDE)) {
        Py_ssize_t i = keys_find_str(d->ma_keys, key, dict_str_hash(key));
        return i >= 0 ? keys_entry(d->ma_keys, i)[1] : NULL;
    }
    PyObject *value;
    (void)dict_find(d, key, dict_str_hash(key), &value);
    return value;
}

/* ---- inline caches: LOAD_GLOBAL and the like ------------------------------------------------------------------------
 * Guard: dict_table(d)->version == the cached version; action: dict_value_at(d, the cached index). A version stands for the
 * table's keys and their places; a table never gets one back after a key was added or removed. */

static inline DictKeys *dict_table(PyDictObject *d) { return d->ma_keys; }
/* Gives the table a version if it has none. 0: there are none left, or the table does not take one; do not cache. */
uint32_t dict_keys_version(PyDictObject *d);
/* Entry of an exact str, or DICT_UNUSED (also when the table has keys that are not str: do not cache absence then). */
static inline Py_ssize_t dict_lookup_index_str(PyDictObject *d, PyObject *key)
{
    if (d->ma_keys->stride != DICT_STR_STRIDE) return DICT_UNUSED;
    return keys_find_str(d->ma_keys, key, dict_str_hash(key));
}
static inline bool dict_has_only_str_keys(PyDictObject *d) { return d->ma_keys->stride == DICT_STR_STRIDE; }
/* BORROWED; i from dict_lookup_index_str under the same keys version (only str tables). Never NULL then. */
static inline PyObject *dict_value_at(PyDictObject *d, Py_ssize_t i) { return keys_entries(d->ma_keys)[i * DICT_STR_STRIDE + 1]; }
/* Replaces the value of entry i, keeping tag, watchers and tracking right. value is borrowed. */
void dict_set_value_at(PyDictObject *d, Py_ssize_t i, PyObject *value);

/* ---- the rest -------------------------------------------------------------------------------------------------------- */

/* key and value borrowed; 0 or -1. */
int dict_set_known_hash(PyDictObject *d, PyObject *key, Py_hash_t hash, PyObject *value);
/* Removes key: 1 and *value new, 0 absent, -1. */
int dict_pop_known_hash(PyDictObject *d, PyObject *key, Py_hash_t hash, PyObject **value);
/* key and value STOLEN, also on failure: for BUILD_MAP, MAP_ADD and call frames. */
int dict_set_steal(PyDictObject *d, PyObject *key, PyObject *value);
/* A new dict of n str or other keys, keys[i * stride] and values[i * stride] borrowed; later keys win. */
PyObject *dict_from_items(PyObject *const *keys, Py_ssize_t key_stride, PyObject *const *values, Py_ssize_t value_stride, Py_ssize_t n);
/* dict | other as f(**a, **b) merges: KeyError with the duplicate key as its argument. */
int dict_merge_unique(PyObject *d, PyObject *other);
/* Bytes of storage behind the object: what __sizeof__ adds to the basic size. */
size_t dict_storage_size(PyDictObject *d);
/* The collector asks: does this exact dict hold only what cannot be in a cycle, so that it can be untracked? */
bool dict_is_untrackable(PyObject *d);
/* __missing__ of subclasses: d[key] with hash known. New reference. */
PyObject *dict_subscript(PyObject *d, PyObject *key);
/* View objects as built by d.keys() and so on, over any dict subclass. kind: &PyDictKeys_Type ... New reference. */
PyObject *dict_view_new(PyObject *d, PyTypeObject *kind);

#endif
