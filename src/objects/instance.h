/* Attributes of instances of Python classes.
 *
 *     hidden word | ob_refcnt | ob_type | slots of the class (to tp_basicsize) | value 0 | value 1 | ...
 *
 * Objects whose class has Py_TPFLAGS_MANAGED_DICT carry one hidden word in front (two where a foreign base wants the object
 * 16-aligned; the word next to the object is the one used). It holds
 *     shape | 1     the first shape->count of the values behind the object are alive, the rest is uninitialised
 *     a dict        owned: someone asked for __dict__, or the attributes did not fit
 *     NULL          no attributes and no dict yet
 *
 * Shapes form a tree a class: the path from the root names the attributes in the order in which they were first set. A shape
 * belongs to one class and lives as long as it; no object of its tree has fewer than shape->capacity values, so a
 * transition that exists always fits. Classes learn their capacity from __static_attributes__ and from what instances grow
 * to; a new capacity means a new root. Names are interned exact strings. */
#ifndef TAIPAN_OBJECTS_INSTANCE_H
#define TAIPAN_OBJECTS_INSTANCE_H

#include "memory/alloc.h"
#include "objects/type.h"

enum { INSTANCE_CAPACITY_MAX = 62, SHAPES_MAX = 1000, SHAPE_CHILDREN_MAX = 128 };

typedef struct Shape Shape;
struct Shape {
    Shape *parent;
    PyObject *name;                  /* strong; what this shape adds; NULL in a root */
    Shape *last_child;               /* the transition taken last */
    Shape *children, *sibling;       /* all transitions */
    Shape *next;                     /* in TypeExtra.all */
    PyTypeObject *type;              /* borrowed */
    uint16_t number;                 /* within the class, from 1: short enough for inline caches */
    uint8_t count;                   /* attributes; the index of name is count - 1 */
    uint8_t capacity;
    uint8_t child_count;
};

/* The hidden word; only of objects whose class has a managed dict. */
static inline uintptr_t *instance_word(PyObject *o)
{
    assert(Py_TYPE(o)->tp_flags & Py_TPFLAGS_MANAGED_DICT);
    return (uintptr_t *)(void *)o - 1;
}

/* NULL: the attributes are in a dict (or there are none). */
static inline Shape *instance_shape(PyObject *o)
{
    uintptr_t word = *instance_word(o);
    return word & 1 ? (Shape *)(word - 1) : NULL;
}

static inline void instance_set_shape(PyObject *o, Shape *shape) { *instance_word(o) = (uintptr_t)shape | 1; }

/* BORROWED: the dict when the attributes are in one, else NULL. */
static inline PyObject *instance_dict_if_any(PyObject *o)
{
    uintptr_t word = *instance_word(o);
    return word & 1 ? NULL : (PyObject *)word;
}

static inline PyObject **instance_values(PyObject *o) { return (PyObject **)(void *)((char *)o + Py_TYPE(o)->tp_basicsize); }

/* BORROWED; index below the shape's count: never NULL. */
static inline PyObject *instance_value(PyObject *o, Py_ssize_t index) { return instance_values(o)[index]; }

Py_ssize_t shape_index_slow(Shape *shape, PyObject *name);

/* Index of an attribute, -1 when the shape lacks it. name: an exact str, best an interned one. Never fails. */
static inline Py_ssize_t shape_index(Shape *shape, PyObject *name)
{
    if (shape->name == name) return shape->count - 1;
    if (!shape->count) return -1;
    return shape_index_slow(shape, name);
}

/* The shape with one more attribute, made if need be; NULL without exception when the attributes must go to a dict
 * (capacity, too many shapes, or no memory). name: interned and not in shape. */
Shape *shape_transition(Shape *shape, PyObject *name);

/* Stores a new attribute: the transition shape -> next was checked by the caller. Takes a new reference to value. */
static inline void instance_store_new(PyObject *o, Shape *next, PyObject *value)
{
    instance_values(o)[next->count - 1] = Py_NewRef(value);
    instance_set_shape(o, next);
}

/* Replaces an attribute. */
static inline void instance_store(PyObject *o, Py_ssize_t index, PyObject *value)
{
    PyObject **at = &instance_values(o)[index], *old = *at;
    *at = Py_NewRef(value);
    Py_DECREF(old);
}

/* value NULL deletes (AttributeError is for the caller: returns 1 when there was nothing to delete). 0 done, -1 error. */
int instance_set(PyObject *o, PyObject *name, PyObject *value);

/* BORROWED: o.__dict__, made if need be; NULL with MemoryError. */
PyObject *instance_dict(PyObject *o);

/* Reading o.__dict__ of an instance of type runs no code but ours (unless tp_getattro is special). */
bool subtype_has_plain_dict(PyTypeObject *type);

/* ---- allocation ---- */

static inline size_t instance_prefix(PyTypeObject *type)
{
    return type->tp_flags & Py_TPFLAGS_MANAGED_DICT ? type_extra(type)->prefix : 0;
}

/* Bytes of inline values that a new object of type gets after its basicsize. */
size_t instance_inline_size_slow(PyTypeObject *type);

static inline size_t instance_inline_size(PyTypeObject *type)
{
    if (!(type->tp_flags & Py_TPFLAGS_MANAGED_DICT)) return 0;
    TypeExtra *x = type_extra(type);
    if (LIKELY(x->capacity_known && !x->learning)) return (size_t)x->capacity * sizeof(PyObject *);
    return instance_inline_size_slow(type);
}

/* Sets the hidden word of a new object; directly after allocating with the size that instance_inline_size told. */
static inline void instance_init(PyObject *o, PyTypeObject *type)
{
    if (!(type->tp_flags & Py_TPFLAGS_MANAGED_DICT)) return;
    Shape *root = type_extra(type)->root;
    ((uintptr_t *)(void *)o)[-1] = root ? (uintptr_t)root | 1 : 0;
}

/* A tracked instance of a class without native storage (tp_alloc is PyType_GenericAlloc, tp_basicsize may hold slots). */
PyObject *instance_new(Thread *t, PyTypeObject *type);

/* Drops attributes or dict; the word is NULL or the root afterwards. */
void instance_clear(PyObject *o);

/* Attribute o.name for a call. 1: *method is an unbound method (NEW), pass o first. 0: *method is the attribute (NEW), or
 * NULL with an exception. */
int object_get_method(PyObject *o, PyObject *name, PyObject **method);

#endif
