/* What the type machinery keeps in the Interpreter: the attribute caches, version tags, watchers, and what static built-in
 * types (whose structs are shared by all interpreters and never written to) need an interpreter. */
#ifndef TAIPAN_OBJECTS_TYPE_STATE_H
#define TAIPAN_OBJECTS_TYPE_STATE_H

#include "taipan.h"

struct Shape;

enum {
    METHOD_CACHE_SIZE = 1 << 12, SHAPE_CACHE_SIZE = 1 << 10,
    STATIC_TYPES_MAX = 256,              /* also the first version tag of heap types is above this */
    FUNCTION_WATCHERS_MAX = 8,
};

/* (version tag, name) -> what the MRO holds. value is borrowed: a type changes its version before it loses an attribute. */
typedef struct MethodCacheEntry {
    PyObject *name;                      /* strong: a dead name's address could come back as another name */
    PyObject *value;                     /* NULL: the MRO has no such name */
    uint32_t version;
} MethodCacheEntry;

/* (shape, name) -> index, -1: not there. */
typedef struct ShapeCacheEntry {
    struct Shape *shape;
    PyObject *name;                      /* strong */
    Py_ssize_t index;
} ShapeCacheEntry;

/* Direct subclasses, in order of creation. Borrowed: a class leaves the lists of its bases before it is freed. */
typedef struct SubclassList {
    Py_ssize_t count, capacity;
    PyTypeObject *items[];
} SubclassList;

typedef struct TypesProcess {
    Py_ssize_t module_index;             /* given out by PyModuleDef_Init */
    uint32_t version;                    /* the last version tag; a class of a single-phase module is used by several interpreters */
    uint32_t function_version;           /* the last of functions */
} TypesProcess;

typedef struct TypeState {
    uint8_t active_function_watchers;
    PyType_WatchCallback watchers[TYPE_MAX_WATCHERS];
    PyFunction_WatchCallback function_watchers[FUNCTION_WATCHERS_MAX];
    PyObject *typing;                    /* the module, once _typing needed it */
    PyTypeObject *typing_classes[6];     /* TYPING_* of genericalias.h; NULL until needed */
    uint64_t abc_invalidation_counter;
    SubclassList *static_subclasses[STATIC_TYPES_MAX];   /* by tp_subclasses - 1 of static built-in types */
    bool static_taken[STATIC_TYPES_MAX];
    MethodCacheEntry cache[METHOD_CACHE_SIZE];
    ShapeCacheEntry shape_cache[SHAPE_CACHE_SIZE];
} TypeState;

#endif
