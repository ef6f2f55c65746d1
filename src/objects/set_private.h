/* The table of set and frozenset, for set*.c only. The struct is public (setobject.h). */
#ifndef TAIPAN_OBJECTS_SET_PRIVATE_H
#define TAIPAN_OBJECTS_SET_PRIVATE_H

#include "objects/containers_private.h"
#include "objects/dict_private.h"

extern PyObject set_dummy;                    /* key of a deleted entry, whose hash is -1 */

static inline bool entry_is_live(const setentry *e) { return e->key && e->hash != -1; }

/* The next live entry from *at on, or NULL. */
static inline setentry *set_next(PySetObject *s, Py_ssize_t *at)
{
    for (Py_ssize_t i = *at; i <= s->mask; i++) {
        if (!entry_is_live(&s->table[i])) continue;
        *at = i + 1;
        return &s->table[i];
    }
    *at = s->mask + 1;
    return NULL;
}

/* key borrowed in all of these. -1 with an exception. */
int set_add_hashed(PySetObject *s, PyObject *key, Py_hash_t hash);
int set_contains_hashed(PySetObject *s, PyObject *key, Py_hash_t hash);
int set_discard_hashed(PySetObject *s, PyObject *key, Py_hash_t hash);          /* 1: was there */
int set_resize(PySetObject *s, Py_ssize_t min_used);
int set_merge_set(PySetObject *s, PySetObject *other);
int set_merge_dict(PySetObject *s, PyDictObject *d);
void set_empty(PySetObject *s);
void set_swap_contents(PySetObject *a, PySetObject *b);

#endif
