/* OrderedDict, for odict*.c only. */
#ifndef TAIPAN_OBJECTS_ODICT_PRIVATE_H
#define TAIPAN_OBJECTS_ODICT_PRIVATE_H

#include "objects/dict_private.h"

typedef struct Node {
    struct Node *previous, *next;
    PyObject *key;                            /* owned */
    Py_hash_t hash;
} Node;

struct _odictobject {
    PyDictObject dict;
    Node **map;                               /* by the number of the dict's entry, or NULL */
    Py_ssize_t map_size;
    uint64_t tag;                             /* the dict's version tag that map belongs to; 0: map is to be built */
    size_t state;                             /* changes with the list */
    Node *first, *last;
    PyObject *inst_dict;
    PyObject *weakreflist;
};
_Static_assert(sizeof(PyODictObject) == 112 && offsetof(PyODictObject, inst_dict) == 96, "visible as __basicsize__, __dictoffset__");

enum { ODICT_KEYS = 1, ODICT_VALUES = 2, ODICT_ITEMS = 3, ODICT_REVERSED = 4 };

int odict_find_node(PyODictObject *od, PyObject *key, Node **node);        /* 1, 0, -1 */
PyObject *odict_value_of(PyODictObject *od, PyObject *key);
PyObject *odict_iterator_new(PyODictObject *od, int kind);

#endif
