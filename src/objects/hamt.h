/* Hash array mapped tries: immutable mappings that share what they have in common. See hamt.c. */
#ifndef TAIPAN_OBJECTS_HAMT_H
#define TAIPAN_OBJECTS_HAMT_H

#include "taipan.h"

typedef struct HamtNode HamtNode;

/* A mapping, embedded in what owns it. Copying it is hamt_copy: a reference more to the root. */
typedef struct Hamt {
    HamtNode *root;                      /* owned; NULL: empty */
    uint32_t count;
    uint32_t mark;                       /* the owner's, for what it likes */
} Hamt;

static inline void hamt_copy(Hamt *to, const Hamt *from)
{
    to->root = (HamtNode *)Py_XNewRef((PyObject *)from->root);
    to->count = from->count;
}

/* Keys may be any hashable object. Comparing them can run code, which may change the very map: hold a copy of it meanwhile, or
 * have only keys that are identical or different, as context variables are. */

/* 1 and NEW *value, 0, or -1 with an exception. */
int hamt_find(const Hamt *map, PyObject *key, PyObject **value);
/* The same, BORROWED or NULL, for keys that compare by identity. */
PyObject *hamt_peek(const Hamt *map, PyObject *key, Py_hash_t hash);

/* These change *map; whoever shares nodes with it sees nothing of that: nodes that are shared are copied on the way, the others
 * changed where they are. *old: NEW, what the key had before, or NULL. 0 (hamt_remove: 1 when it was there), or -1. */
int hamt_set(Hamt *map, PyObject *key, PyObject *value, PyObject **old);
int hamt_remove(Hamt *map, PyObject *key, PyObject **old);

/* 1 equal, 0, -1. */
int hamt_equal(const Hamt *a, const Hamt *b);

/* Iterators that know the number of items: what keys(), values(), items() return. NEW. */
enum { HAMT_KEYS, HAMT_VALUES, HAMT_ITEMS };
PyObject *hamt_iterator(const Hamt *map, int what);

/* Readies the types of nodes and iterators. 0 / -1. */
int hamt_types_init(void);

#endif
