/* Attribute storage of instances of Python classes: shapes, their growth, and the way to a real dict. See instance.h. */
#include "objects/instance.h"

#include "objects/unicode.h"

enum { LEARNING_ALLOCATIONS = 32, CAPACITY_SPARE = 4 };  /* room in the first instances for attributes set from outside */

/* ---- shapes ---------------------------------------------------------------------------------------------------- */

static Shape *shape_new(PyTypeObject *type, Shape *parent, PyObject *name, uint8_t capacity)
{
    TypeExtra *x = type_extra(type);
    if (x->shapes >= SHAPES_MAX) return NULL;
    Shape *s = PyMem_Calloc(1, sizeof *s);
    if (!s) return NULL;
    s->type = type;
    s->parent = parent;
    s->name = Py_XNewRef(name);
    s->number = ++x->shapes;
    s->count = (uint8_t)(parent ? parent->count + 1 : 0);
    s->capacity = capacity;
    s->next = x->all;
    x->all = s;
    if (s->count > x->deepest) x->deepest = s->count;
    return s;
}

/* A class has too small a capacity: instances made from now on get room for wanted attributes. */
static void class_set_capacity(PyTypeObject *type, unsigned wanted)
{
    TypeExtra *x = type_extra(type);
    if (wanted > INSTANCE_CAPACITY_MAX) wanted = INSTANCE_CAPACITY_MAX;
    if (x->root && wanted == x->capacity) return;
    Shape *root = x->all;                                    /* one of an earlier time has its whole tree of shapes */
    while (root && (root->parent || root->capacity != wanted)) root = root->next;
    if (!root) root = shape_new(type, NULL, NULL, (uint8_t)wanted);
    if (!root) return;                                       /* it stays as it is */
    x->root = root;
    x->capacity = (uint8_t)wanted;
}

Shape *shape_transition(Shape *shape, PyObject *name)
{
    Shape *s = shape->last_child;
    if (LIKELY(s && s->name == name)) return s;
    for (s = shape->children; s; s = s->sibling) {
        if (s->name != name) continue;
        return shape->last_child = s;
    }
    if (shape->count == shape->capacity) {
        TypeExtra *x = type_extra(shape->type);
        if (shape->capacity >= x->capacity) {
            class_set_capacity(shape->type, shape->capacity + 1u + shape->capacity / 2u);
            x->learning = LEARNING_ALLOCATIONS;
            if (x->deepest <= shape->count) x->deepest = (uint8_t)(shape->count + 1);      /* this one at least wanted more */
        }
        return NULL;
    }
    if (shape->child_count >= SHAPE_CHILDREN_MAX) return NULL;
    s = shape_new(shape->type, shape, name, shape->capacity);
    if (!s) return NULL;
    s->sibling = shape->children;
    shape->children = s;
    shape->child_count++;
    return shape->last_child = s;
}

/* Without the cache; names that are not interned compare by value. */
static Py_ssize_t shape_walk(Shape *shape, PyObject *name)
{
    if (str_is_interned(name)) {
        for (; shape->count; shape = shape->parent)
            if (shape->name == name) return shape->count - 1;
        return -1;
    }
    for (; shape->count; shape = shape->parent)
        if (str_equal(shape->name, name)) return shape->count - 1;
    return -1;
}

Py_ssize_t shape_index_slow(Shape *shape, PyObject *name)
{
    if (shape->count <= 3 || !str_is_interned(name)) return shape_walk(shape, name);
    uint32_t slot = (uint32_t)(((uintptr_t)shape >> 4) ^ ((uintptr_t)name >> 3)) & (SHAPE_CACHE_SIZE - 1);
    ShapeCacheEntry *e = &type_state()->shape_cache[slot];
    if (LIKELY(e->shape == shape && e->name == name)) return e->index;
    Py_ssize_t index = shape_walk(shape, name);
    PyObject *old = e->name;
    *e = (ShapeCacheEntry){ shape, Py_NewRef(name), index };
    Py_XDECREF(old);
    return index;
}

/* ---- what a class knows ---------------------------------------------------------------------------------------- */

static bool is_foreign(PyTypeObject *type)                  /* native storage that is not one of our built-in types */
{
    for (; type; type = type->tp_base) {
        if (type->tp_flags & _Py_TPFLAGS_STATIC_BUILTIN) return false;
        if (!(type->tp_flags & Py_TPFLAGS_HEAPTYPE)) return true;
        Py_ssize_t own = type->tp_basicsize - (type->tp_base ? type->tp_base->tp_basicsize : 0);
        if (own != Py_SIZE(OBJECT(type)) * (Py_ssize_t)sizeof(PyObject *)) return true;   /* more than __slots__ */
    }
    return false;
}

/* What its instances will look like; when the type is ready. */
TypeExtra *type_extra_new(PyTypeObject *type)
{
    TypeExtra *x = type_extra(type);
    if (!x) {
        x = PyMem_Calloc(1, sizeof *x);
        if (!x) {
            PyErr_NoMemory();
            return NULL;
        }
        ((PyHeapTypeObject *)type)->ht_cached_keys = (struct _dictkeysobject *)(void *)x;
    }
    x->align16 = is_foreign(type);
    if (type->tp_flags & Py_TPFLAGS_MANAGED_DICT) {
        x->prefix = x->align16 ? 16 : 8;
        x->has_inline = type->tp_itemsize == 0;
        if (x->align16 && type->tp_basicsize % 16) x->has_inline = x->has_inline && type->tp_basicsize % 8 == 0;
    }
    x->simple = type->tp_flags & Py_TPFLAGS_HAVE_GC && type->tp_dealloc == subtype_dealloc && !x->align16 &&
                type->tp_basicsize == sizeof(PyObject) && !type->tp_itemsize;
    return x;
}

void type_extra_free(PyTypeObject *type)
{
    TypeExtra *x = type_extra(type);
    if (!x) return;
    if (x->all) {
        TypeState *state = type_state();
        for (size_t i = 0; i < SHAPE_CACHE_SIZE; i++)
            if (state->shape_cache[i].shape && state->shape_cache[i].shape->type == type) state->shape_cache[i].shape = NULL;
    }
    for (Shape *s = x->all, *next; s; s = next) {
        next = s->next;
        Py_XDECREF(s->name);
        PyMem_Free(s);
    }
    PyMem_Free(x);
    ((PyHeapTypeObject *)type)->ht_cached_keys = NULL;
}

/* Names in __static_attributes__ along the MRO: what the methods of the class assign to self. */
static unsigned count_static_attributes(PyTypeObject *type)
{
    Py_ssize_t count = 0;
    PyObject *mro = type->tp_mro;
    for (Py_ssize_t i = 0; mro && i < PyTuple_GET_SIZE(mro); i++) {
        PyTypeObject *base = (PyTypeObject *)PyTuple_GET_ITEM(mro, i);
        if (!(base->tp_flags & Py_TPFLAGS_HEAPTYPE) || !base->tp_dict) continue;
        PyObject *names = PyDict_GetItemWithError(base->tp_dict, STR(__static_attributes__));
        if (names && PyTuple_CheckExact(names)) count += PyTuple_GET_SIZE(names);
        else if (!names) PyErr_Clear();
    }
    return count > INSTANCE_CAPACITY_MAX ? INSTANCE_CAPACITY_MAX : (unsigned)count;
}

/* False: no memory. */
COLD NOINLINE static bool class_first_instance(PyTypeObject *type, TypeExtra *x)
{
    x->capacity_known = true;
    if (!x->has_inline) return true;
    unsigned wanted = count_static_attributes(type);
    x->learning = LEARNING_ALLOCATIONS;
    class_set_capacity(type, wanted + CAPACITY_SPARE);
    if (x->root) return true;
    x->capacity = 0;
    x->capacity_known = false;
    return false;
}

size_t instance_inline_size_slow(PyTypeObject *type)
{
    TypeExtra *x = type_extra(type);
    if (!x->capacity_known && !class_first_instance(type, x)) return PTRDIFF_MAX;       /* which no allocation grants */
    /* Enough seen: give back the room that no instance ever used. */
    if (x->learning && --x->learning == 0 && x->root && x->deepest < x->capacity) class_set_capacity(type, x->deepest);
    return (size_t)x->capacity * sizeof(PyObject *);
}

/* ---- to a dict ------------------------------------------------------------------------------------------------- */

static int fill_dict(PyObject *dict, Shape *shape, PyObject **values)
{
    PyObject *names[INSTANCE_CAPACITY_MAX];
    int count = shape->count;
    for (Shape *s = shape; s->count; s = s->parent) names[s->count - 1] = s->name;
    for (int i = 0; i < count; i++)
        if (PyDict_SetItem(dict, names[i], values[i]) < 0) return -1;
    return 0;
}

/* Moves the attributes of an object with a shape into a dict, which is returned (BORROWED). */
NOINLINE static PyObject *instance_to_dict(PyObject *o)
{
    Shape *shape = instance_shape(o);
    PyObject **values = instance_values(o), *dict = PyDict_New();
    if (!dict) return NULL;
    if (fill_dict(dict, shape, values) < 0) {
        Py_DECREF(dict);
        return NULL;
    }
    *instance_word(o) = (uintptr_t)dict;
    for (int i = 0; i < shape->count; i++) Py_DECREF(values[i]);       /* the dict holds them: nothing dies */
    return dict;
}

PyObject *instance_dict(PyObject *o)
{
    uintptr_t word = *instance_word(o);
    if (word & 1) return instance_to_dict(o);
    if (word) return (PyObject *)word;
    PyObject *dict = PyDict_New();
    *instance_word(o) = (uintptr_t)dict;
    return dict;
}

/* ---- get and set ----------------------------------------------------------------------------------------------- */

/* The object's own attribute, along shape or dict; no class attributes. 1 found (NEW), 0 not, -1 error. */
static int instance_get(PyObject *o, PyObject *name, PyObject **value)
{
    uintptr_t word = *instance_word(o);
    *value = NULL;
    if (LIKELY(word & 1)) {
        if (LIKELY(PyUnicode_CheckExact(name))) {
            Py_ssize_t i = shape_index((Shape *)(word - 1), name);
            if (i < 0) return 0;
            *value = Py_NewRef(instance_values(o)[i]);
            return 1;
        }
        if (!(word = (uintptr_t)instance_to_dict(o))) return -1;        /* a str subclass compares as it likes */
    }
    if (!word) return 0;
    PyObject *dict = Py_NewRef((PyObject *)word);
    int found = PyDict_GetItemRef(dict, name, value);
    Py_DECREF(dict);
    return found;
}

/* The shape with the attribute at index left out, the others in the same order; NULL when it cannot be had. */
static Shape *shape_without(Shape *shape, Py_ssize_t index)
{
    PyObject *names[INSTANCE_CAPACITY_MAX];
    int count = shape->count;
    for (; shape->count > index; shape = shape->parent) names[shape->count - 1] = shape->name;
    for (Py_ssize_t i = index + 1; shape && i < count; i++) shape = shape_transition(shape, names[i]);
    return shape;
}

static int set_in_dict(PyObject *dict, PyObject *name, PyObject *value)
{
    Py_INCREF(dict);
    int status;
    PyDictObject *d = (PyDictObject *)dict;
    if (value && UNLIKELY(*dict_tag(d) & 0xff)) {          /* watchers hear of every assignment, of the same value too */
        Py_ssize_t i = dict_lookup_index_str(d, name);
        if (i >= 0) dict_set_value_at(d, i, value);
        status = i >= 0 ? 0 : PyDict_SetItem(dict, name, value);
    }
    else if (value) status = PyDict_SetItem(dict, name, value);
    else if ((status = PyDict_DelItem(dict, name)) < 0 && PyErr_ExceptionMatches(PyExc_KeyError)) {
        PyErr_Clear();
        status = 1;
    }
    Py_DECREF(dict);
    return status;
}

int instance_set(PyObject *o, PyObject *name, PyObject *value)
{
    uintptr_t word = *instance_word(o);
    if (word & 1 && LIKELY(PyUnicode_CheckExact(name))) {
        Shape *shape = (Shape *)(word - 1), *next;
        Py_ssize_t i = shape_index(shape, name);
        if (i >= 0 && value) {
            instance_store(o, i, value);
            return 0;
        }
        if (i < 0 && !value) return 1;
        if (value && LIKELY(str_is_interned(name)) && (next = shape_transition(shape, name))) {
            instance_store_new(o, next, value);
            return 0;
        }
        if (!value && (next = shape_without(shape, i))) {
            PyObject **at = &instance_values(o)[i], *old = *at;
            memmove(at, at + 1, (size_t)(shape->count - 1 - i) * sizeof *at);
            instance_set_shape(o, next);
            Py_DECREF(old);
            return 0;
        }
    }
    if (!value && !word) return 1;
    PyObject *dict = instance_dict(o);
    return dict ? set_in_dict(dict, name, value) : -1;
}

void instance_clear(PyObject *o)
{
    uintptr_t word = *instance_word(o);
    if (word & 1) {
        Shape *shape = (Shape *)(word - 1), *root = shape;
        if (!shape->count) return;
        while (root->parent) root = root->parent;
        PyObject **values = instance_values(o);
        instance_set_shape(o, root);
        /* A destructor that sets attributes now starts over at index 0; the old values must be out of its way. */
        PyObject *old[INSTANCE_CAPACITY_MAX];
        int count = shape->count;
        memcpy(old, values, (size_t)count * sizeof *old);
        for (int i = 0; i < count; i++) Py_DECREF(old[i]);
        return;
    }
    *instance_word(o) = 0;
    Py_XDECREF((PyObject *)word);
}

/* ---- the public side ------------------------------------------------------------------------------------------- */

int PyObject_VisitManagedDict(PyObject *o, visitproc visit, void *arg)
{
    if (!(Py_TYPE(o)->tp_flags & Py_TPFLAGS_MANAGED_DICT)) return 0;
    uintptr_t word = *instance_word(o);
    if (word & 1) {
        PyObject **values = instance_values(o);
        for (int i = 0, n = ((Shape *)(word - 1))->count; i < n; i++) {
            int status = visit(values[i], arg);
            if (status) return status;
        }
        return 0;
    }
    return word ? visit((PyObject *)word, arg) : 0;
}

void PyObject_ClearManagedDict(PyObject *o)
{
    if (Py_TYPE(o)->tp_flags & Py_TPFLAGS_MANAGED_DICT) instance_clear(o);
}

int _PyObject_SetManagedDict(PyObject *o, PyObject *dict)
{
    if (*instance_word(o) & 1 && !instance_to_dict(o)) return -1;
    PyObject *old = instance_dict_if_any(o);
    *instance_word(o) = (uintptr_t)Py_XNewRef(dict);
    Py_XDECREF(old);
    return 0;
}

static PyObject **dict_field(PyObject *o)                   /* of types with a tp_dictoffset of their own */
{
    PyTypeObject *type = Py_TYPE(o);
    Py_ssize_t offset = type->tp_dictoffset;
    if (offset == 0) return NULL;
    if (offset < 0) {
        Py_ssize_t size = PyLong_Check(o) ? (Py_ssize_t)(((PyLongObject *)o)->long_value.lv_tag >> 3) : ((PyVarObject *)o)->ob_size;
        if (size < 0) size = -size;
        offset += (Py_ssize_t)_PyObject_VAR_SIZE(type, size);
    }
    return (PyObject **)(void *)((char *)o + offset);
}

/* The place of the dict pointer, NULL when the type has none; attributes are moved into a dict first. */
PyObject **_PyObject_GetDictPtr(PyObject *o)
{
    if (!(Py_TYPE(o)->tp_flags & Py_TPFLAGS_MANAGED_DICT)) return dict_field(o);
    if (*instance_word(o) & 1 && !instance_to_dict(o)) {
        PyErr_Clear();
        return NULL;
    }
    return (PyObject **)(void *)instance_word(o);
}

PyObject *PyObject_GenericGetDict(PyObject *o, void *Py_UNUSED(context))
{
    if (Py_TYPE(o)->tp_flags & Py_TPFLAGS_MANAGED_DICT) return Py_XNewRef(instance_dict(o));
    PyObject **at = dict_field(o);
    if (!at) {
        PyErr_SetString(PyExc_AttributeError, "This object has no __dict__");
        return NULL;
    }
    if (!*at) *at = PyDict_New();
    return Py_XNewRef(*at);
}

int PyObject_GenericSetDict(PyObject *o, PyObject *value, void *Py_UNUSED(context))
{
    bool managed = Py_TYPE(o)->tp_flags & Py_TPFLAGS_MANAGED_DICT;
    PyObject **at = managed ? NULL : dict_field(o);
    if (!managed && !at) {
        PyErr_SetString(PyExc_AttributeError, "This object has no __dict__");
        return -1;
    }
    if (!value) {
        PyErr_SetString(PyExc_TypeError, "cannot delete __dict__");
        return -1;
    }
    if (!PyDict_Check(value)) {
        PyErr_Format(PyExc_TypeError, "__dict__ must be set to a dictionary, not a '%.200s'", Py_TYPE(value)->tp_name);
        return -1;
    }
    if (managed) return _PyObject_SetManagedDict(o, value);
    Py_XSETREF(*at, Py_NewRef(value));
    return 0;
}

PyObject *_PyObject_GetAttrId(PyObject *o, _Py_Identifier *id)
{
    PyObject *name = _PyUnicode_FromId(id);
    return name ? PyObject_GetAttr(o, name) : NULL;
}

/* ---- generic attribute access ---------------------------------------------------------------------------------- */

COLD NOINLINE void attribute_error_set_context(PyObject *obj, PyObject *name)
{
    PyObject *exc = PyErr_GetRaisedException();
    if (exc && PyObject_TypeCheck(exc, (PyTypeObject *)PyExc_AttributeError)) {
        PyAttributeErrorObject *e = (PyAttributeErrorObject *)exc;
        if (!e->name && !e->obj) {
            e->name = Py_NewRef(name);
            e->obj = Py_NewRef(obj);
        }
    }
    PyErr_SetRaisedException(exc);
}

COLD NOINLINE static PyObject *no_attribute(PyObject *o, PyObject *name)
{
    PyErr_Format(PyExc_AttributeError, "'%.100s' object has no attribute '%U'", Py_TYPE(o)->tp_name, name);
    attribute_error_set_context(o, name);
    return NULL;
}

COLD NOINLINE static int name_not_str(PyObject *name)
{
    PyErr_Format(PyExc_TypeError, "attribute name must be string, not '%.200s'", Py_TYPE(name)->tp_name);
    return -1;
}

/* The object's own attribute, wherever the type keeps it. 1 found (NEW), 0 not, -1 error. */
static inline int own_attribute(PyObject *o, PyTypeObject *type, PyObject *dict, PyObject *name, PyObject **value)
{
    *value = NULL;
    if (!dict) {
        if (type->tp_flags & Py_TPFLAGS_MANAGED_DICT) return instance_get(o, name, value);
        if (!type->tp_dictoffset) return 0;
        PyObject **at = dict_field(o);
        if (!at || !(dict = *at)) return 0;
    }
    Py_INCREF(dict);
    int found = PyDict_GetItemRef(dict, name, value);
    Py_DECREF(dict);
    return found;
}

PyObject *_PyObject_GenericGetAttrWithDict(PyObject *o, PyObject *name, PyObject *dict, int suppress)
{
    PyTypeObject *type = Py_TYPE(o);
    PyObject *result;
    if (UNLIKELY(!PyUnicode_Check(name))) {
        name_not_str(name);
        return NULL;
    }
    if (UNLIKELY(!type->tp_dict) && PyType_Ready(type) < 0) return NULL;
    PyObject *descr = type_lookup(type, name);
    descrgetfunc get = NULL;
    if (descr) {
        get = Py_TYPE(descr)->tp_descr_get;
        Py_INCREF(descr);
        if (get && Py_TYPE(descr)->tp_descr_set) {
            result = get(descr, o, OBJECT(type));
            goto suppressible;
        }
    }
    int found = own_attribute(o, type, dict, name, &result);
    if (found) {
        Py_XDECREF(descr);
        if (found < 0 && suppress && PyErr_ExceptionMatches(PyExc_AttributeError)) PyErr_Clear();
        return result;
    }
    if (!descr) return suppress ? NULL : no_attribute(o, name);
    if (!get) return descr;
    result = get(descr, o, OBJECT(Py_TYPE(o)));              /* a hostile key may have given it another class */
suppressible:
    if (UNLIKELY(!result) && suppress && PyErr_ExceptionMatches(PyExc_AttributeError)) PyErr_Clear();
    Py_DECREF(descr);
    return result;
}

PyObject *PyObject_GenericGetAttr(PyObject *o, PyObject *name) { return _PyObject_GenericGetAttrWithDict(o, name, NULL, 0); }

COLD NOINLINE static int cannot_set(PyObject *o, PyObject *name, PyObject *descr)
{
    PyTypeObject *type = Py_TYPE(o);
    if (descr) PyErr_Format(PyExc_AttributeError, "'%.100s' object attribute '%U' is read-only", type->tp_name, name);
    else if (type->tp_setattro == PyObject_GenericSetAttr)
        PyErr_Format(PyExc_AttributeError, "'%.100s' object has no attribute '%U' and no __dict__ for setting new attributes",
                     type->tp_name, name);
    else PyErr_Format(PyExc_AttributeError, "'%.100s' object has no attribute '%U'", type->tp_name, name);
    attribute_error_set_context(o, name);
    return -1;
}

static int set_own_attribute(PyObject *o, PyObject *name, PyObject *value, PyObject *dict, PyObject *descr)
{
    PyTypeObject *type = Py_TYPE(o);
    int status;
    if (!dict && type->tp_flags & Py_TPFLAGS_MANAGED_DICT) status = instance_set(o, name, value);
    else {
        if (!dict) {
            PyObject **at = dict_field(o);
            if (!at) return cannot_set(o, name, descr);
            if (!*at) {
                if (!value) status = 1;
                else if (!(*at = PyDict_New())) return -1;
            }
            dict = *at;
        }
        status = dict ? set_in_dict(dict, name, value) : 1;
    }
    if (UNLIKELY(status > 0)) {
        no_attribute(o, name);
        return -1;
    }
    return status;
}

int _PyObject_GenericSetAttrWithDict(PyObject *o, PyObject *name, PyObject *value, PyObject *dict)
{
    PyTypeObject *type = Py_TYPE(o);
    if (UNLIKELY(!PyUnicode_Check(name))) return name_not_str(name);
    if (UNLIKELY(!type->tp_dict) && PyType_Ready(type) < 0) return -1;
    Py_INCREF(name);
    Py_INCREF(type);
    PyObject *descr = type_lookup(type, name);
    int status;
    descrsetfunc set = NULL;
    if (descr) {
        Py_INCREF(descr);
        set = Py_TYPE(descr)->tp_descr_set;
    }
    if (set) status = set(descr, o, value);
    else status = set_own_attribute(o, name, value, dict, descr);
    Py_XDECREF(descr);
    Py_DECREF(type);
    Py_DECREF(name);
    return status;
}

int PyObject_GenericSetAttr(PyObject *o, PyObject *name, PyObject *value)
{
    return _PyObject_GenericSetAttrWithDict(o, name, value, NULL);
}

int object_get_method(PyObject *o, PyObject *name, PyObject **method)
{
    PyTypeObject *type = Py_TYPE(o);
    *method = NULL;
    if (type->tp_getattro != PyObject_GenericGetAttr || UNLIKELY(!PyUnicode_CheckExact(name) || !type->tp_dict)) {
        *method = PyObject_GetAttr(o, name);
        return 0;
    }
    PyObject *descr = type_lookup(type, name);
    descrgetfunc get = NULL;
    bool is_method = false;
    if (descr) {
        Py_INCREF(descr);
        if (Py_TYPE(descr)->tp_flags & Py_TPFLAGS_METHOD_DESCRIPTOR) is_method = true;
        else {
            get = Py_TYPE(descr)->tp_descr_get;
            if (get && Py_TYPE(descr)->tp_descr_set) {
                *method = get(descr, o, OBJECT(type));
                Py_DECREF(descr);
                return 0;
            }
        }
    }
    int found = own_attribute(o, type, NULL, name, method);
    if (found) {
        Py_XDECREF(descr);
        return 0;
    }
    if (is_method) {
        *method = descr;
        return 1;
    }
    if (get) {
        *method = get(descr, o, OBJECT(Py_TYPE(o)));
        Py_DECREF(descr);
        return 0;
    }
    *method = descr ? descr : no_attribute(o, name);
    return 0;
}

/* ---- allocation ------------------------------------------------------------------------------------------------ */

PyObject *instance_new(Thread *t, PyTypeObject *type)
{
    size_t base = (size_t)type->tp_basicsize;
    PyObject *o = gc_alloc(t, type, base + instance_inline_size(type), instance_prefix(type));
    if (UNLIKELY(!o)) return NULL;
    instance_init(o, type);
    if (base > sizeof(PyObject)) memset(o + 1, 0, base - sizeof(PyObject));
    gc_track_in_order(t, o, type);
    return o;
}

static size_t align_up(size_t n, size_t to) { return (n + to - 1) & ~(to - 1); }

PyObject *PyType_GenericAlloc(PyTypeObject *type, Py_ssize_t items)
{
    Thread *t = thread_get();
    bool collectable = type->tp_flags & Py_TPFLAGS_HAVE_GC;
    if (LIKELY(collectable && !type->tp_itemsize && type->tp_flags & Py_TPFLAGS_HEAPTYPE && !type_extra(type)->align16))
        return instance_new(t, type);
    size_t size = (size_t)type->tp_basicsize;
    if (type->tp_itemsize) {                                /* one item more than asked for: room for a terminator */
        if (items < 0 || items > (PY_SSIZE_T_MAX - type->tp_basicsize - 64) / type->tp_itemsize - 1) return PyErr_NoMemory();
        size = align_up(size + ((size_t)items + 1) * (size_t)type->tp_itemsize, sizeof(void *));
    }
    if (!(type->tp_flags & _Py_TPFLAGS_STATIC_BUILTIN) && (!(type->tp_flags & Py_TPFLAGS_HEAPTYPE) || type_extra(type)->align16))
        size = align_up(size, 16);
    PyObject *o;
    if (collectable) {
        size_t total = size + instance_inline_size(type), prefix = instance_prefix(type);
        if (prefix == 16) total = align_up(total, 16);
        if (!(o = gc_alloc(t, type, total, prefix))) return NULL;
    }
    else {
        if (!(o = PyObject_Malloc(size))) return PyErr_NoMemory();
        if (type->tp_itemsize) PyObject_InitVar((PyVarObject *)o, type, items);
        else PyObject_Init(o, type);
    }
    memset(o + 1, 0, size - sizeof(PyObject));
    if (type->tp_itemsize) Py_SET_SIZE((PyVarObject *)o, items);
    instance_init(o, type);
    if (collectable) gc_track_in_order(t, o, type);
    return o;
}

PyObject *PyType_GenericNew(PyTypeObject *type, PyObject *Py_UNUSED(args), PyObject *Py_UNUSED(kwds))
{
    return type->tp_alloc(type, 0);
}

void *PyObject_GetItemData(PyObject *o)
{
    if (!(Py_TYPE(o)->tp_flags & Py_TPFLAGS_ITEMS_AT_END)) {
        PyErr_Format(PyExc_TypeError, "type '%s' does not have Py_TPFLAGS_ITEMS_AT_END", Py_TYPE(o)->tp_name);
        return NULL;
    }
    return (char *)o + Py_TYPE(o)->tp_basicsize;
}
