/* Types: what the rest of Taipan may call beyond Python.h.
 *
 * Where things live: type.c (the type object and its slots), type_ready.c (PyType_Ready, inheritance), type_new.c (class
 * statement), type_spec.c (PyType_FromSpec), type_slots.c (dunder methods <-> C slots), type_mro.c, type_lookup.c (caches,
 * versions, watchers), type_attrs.c (__bases__, __doc__, ...), subtype.c (life of instances), instance.c (their attributes). */
#ifndef TAIPAN_OBJECTS_TYPE_H
#define TAIPAN_OBJECTS_TYPE_H

#include "runtime/state.h"

struct Shape;

/* What a heap type needs beyond its public struct; hangs off ht_cached_keys. */
typedef struct TypeExtra {
    struct Shape *root;              /* shape of a new instance; NULL: its instances keep attributes in a dict only */
    uint8_t prefix;                  /* bytes in front of an instance: 0, 8, 16 */
    uint8_t capacity;                /* inline attribute slots of a new instance */
    uint8_t deepest;                 /* most attributes any instance has had, inline */
    bool align16;                    /* a foreign base: instances are 16-aligned */
    bool simple;                     /* instances: nothing but header and attributes, freed by the straight path */
    uint16_t learning;               /* allocations until capacity is fitted to what was seen; 0: settled */
    uint16_t shapes;                 /* made so far, over all roots */
    bool has_inline;                 /* INLINE_VALUES storage allowed (no items behind the object) */
    bool capacity_known;             /* the first instance has been made */
    struct Shape *all;               /* every shape of the class, to free them */
    PyObject *listed_under;          /* while __bases__ is being assigned: the bases whose lists of subclasses hold the class */
} TypeExtra;

static inline TypeExtra *type_extra(PyTypeObject *type)
{
    assert(type->tp_flags & Py_TPFLAGS_HEAPTYPE);
    return (TypeExtra *)(void *)((PyHeapTypeObject *)type)->ht_cached_keys;
}

static inline TypeState *type_state(void) { return &interp_get()->objects.types; }

/* ---- start-up ---- */

/* Readies every static built-in type; in later interpreters only their own tables. 0, or -1 with an exception. */
int types_init(Interpreter *interp);
void types_fini(Interpreter *interp);           /* drops caches */
/* A static built-in type that is not in the table of types_init (of a native module). */
int type_ready_builtin(PyTypeObject *type);

/* ---- lookup ---- */

static inline MethodCacheEntry *method_cache_entry(TypeState *s, uint32_t version, PyObject *name)
{
    return &s->cache[(version ^ (uint32_t)((uintptr_t)name >> 3)) & (METHOD_CACHE_SIZE - 1)];
}

PyObject *type_lookup_slow(PyTypeObject *type, PyObject *name);

/* BORROWED: the attribute along the MRO, no descriptor called. NULL without exception: not there (errors of comparing odd
 * keys are swallowed, as in CPython). */
static inline PyObject *type_lookup(PyTypeObject *type, PyObject *name)
{
    uint32_t version = type->tp_version_tag;
    MethodCacheEntry *e = method_cache_entry(type_state(), version, name);
    if (LIKELY(e->version == version && e->name == name && version)) return e->value;
    return type_lookup_slow(type, name);
}

/* BORROWED; uncached. -1 with an exception, else 0 and *value (or NULL). */
int type_find_in_mro(PyTypeObject *type, PyObject *name, PyObject **value);

/* A version tag for type, 0 when none can be had. */
uint32_t type_assign_version(PyTypeObject *type);
uint32_t version_next(uint32_t *last);          /* of Process */

/* NEW: looks up on the type and binds to self, unless the result is a method descriptor: then *unbound is 1 and self has
 * to be passed first. NULL without exception: not there. */
PyObject *type_lookup_special(PyObject *self, PyObject *name, int *unbound);
/* NEW, bound. */
PyObject *type_lookup_special_bound(PyObject *self, PyObject *name);

/* Calls self.name(args[1:]), args[0] being self. AttributeError when missing. */
PyObject *type_call_special(PyObject *name, PyObject *const *args, Py_ssize_t nargs);

/* type.__getattribute__; with suppress, NULL without exception when missing. */
PyObject *type_getattr(PyTypeObject *type, PyObject *name, bool suppress);

/* ---- making and changing types ---- */

bool type_is_ready(PyTypeObject *type);
PyObject *type_dict(PyTypeObject *type);        /* BORROWED, tp_dict */
SubclassList **type_subclass_slot(PyTypeObject *type);
int type_add_subclass(PyTypeObject *base, PyTypeObject *type);
void type_remove_subclass(PyTypeObject *base, PyTypeObject *type);
/* A slot of the whole type, or of the subclasses that inherit it, after `type.name` changed. */
int type_update_slot(PyTypeObject *type, PyObject *name);
int type_fix_slots(PyTypeObject *type);         /* all of them */
int type_fix_own_slots(PyTypeObject *type);     /* those that its own dict names */
int type_add_operators(PyTypeObject *type);
bool type_is_slot_name(PyObject *name);         /* begins and ends with __ */

int type_mro_compute(PyTypeObject *type, PyObject **old_mro);    /* 1 changed, 0 replaced meanwhile, -1 */
void type_forget_all_versions(void);
void type_mro_modified(PyTypeObject *type, PyObject *bases);      /* never cached again if its MRO is not what bases give */
PyObject *type_mro_plain(PyTypeObject *type);                    /* type.mro(): NEW list */
PyTypeObject *type_best_base(PyObject *bases);                   /* BORROWED */
PyTypeObject *type_solid_base(PyTypeObject *type);               /* BORROWED */
PyTypeObject *type_calculate_metaclass(PyTypeObject *metatype, PyObject *bases);
int type_inherit_mro(PyTypeObject *type);                        /* slots of all of the MRO */
TypeExtra *type_extra_new(PyTypeObject *type);
void type_extra_free(PyTypeObject *type);

PyObject *type_new(PyTypeObject *metatype, PyObject *args, PyObject *kwds);
PyObject *type_call(PyTypeObject *type, PyObject *args, PyObject *kwds);
int type_add_new_wrapper(PyTypeObject *type);
bool type_is_new_wrapper(PyObject *o);
PyObject *type_find_doc(const char *name, const char *doc);              /* NEW str or None, signature left out */
PyObject *type_find_text_signature(const char *name, const char *doc);   /* NEW str or None */
PyObject *type_method_text_signature(const PyMethodDef *m);              /* the same */
const char *type_short_name(const PyTypeObject *type);
extern PyGetSetDef type_getset[];

/* tp_dealloc, tp_traverse, tp_clear of classes made in Python. */
void subtype_dealloc(PyObject *self);
int subtype_traverse(PyObject *self, visitproc visit, void *arg);
int subtype_clear(PyObject *self);
extern PyGetSetDef subtype_getset_dict_weak[], subtype_getset_dict[], subtype_getset_weak[];
PyObject *class_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf, PyObject *kwnames);
int type_compatible_for_assignment(PyTypeObject *from, PyTypeObject *to, const char *attr);

/* object */
PyObject *object_new(PyTypeObject *type, PyObject *args, PyObject *kwds);
int object_init(PyObject *self, PyObject *args, PyObject *kwds);
PyObject *object_reduce_ex(PyObject *self, PyObject *protocol);
PyObject *object_reduce(PyObject *self, int protocol);     /* whatever __reduce__ says */
PyObject *object_getstate_default(PyObject *self, bool required);
PyObject *object_getstate_method(PyObject *self, PyObject *ignored);
extern PyMethodDef object_methods[];
int class_merge_dict(PyObject *dict, PyObject *cls);      /* dict updated with what cls and its bases define */
PyObject *union_or(PyObject *a, PyObject *b);              /* a | b of types */
extern PyGetSetDef object_getset[];
PyObject *property_getter_to_cache(PyObject *self);       /* BORROWED; forgotten by all code before the property drops it */
/* Raised AttributeErrors carry the object and the name. */
void attribute_error_set_context(PyObject *obj, PyObject *name);
/* tp_iternext of a class that is not an iterator, though it inherits from one. Exported as in CPython. */
PyAPI_FUNC(PyObject *) _PyObject_NextNotImplemented(PyObject *self);

/* Slot functions that other code compares with. */
int slot_tp_init(PyObject *self, PyObject *args, PyObject *kwds);
PyObject *slot_tp_new(PyTypeObject *type, PyObject *args, PyObject *kwds);
PyObject *slot_tp_getattr_hook(PyObject *self, PyObject *name);
PyObject *slot_tp_call(PyObject *self, PyObject *args, PyObject *kwds);
PyObject *slot_tp_iternext(PyObject *self);
PyObject *slot_mp_subscript(PyObject *self, PyObject *key);
void slot_tp_finalize(PyObject *self);

#endif
