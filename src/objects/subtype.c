/* Life and death of instances of Python classes: deallocation, the collector's view, their __dict__ and __weakref__.
 *
 * Order of destruction is CPython's: finaliser (may resurrect), tp_del, weak references, slots, attributes, the base's own
 * deallocator, the class. */
#include "objects/instance.h"

/* The nearest base that is not made by a class statement. */
static PyTypeObject *native_base(PyTypeObject *type)
{
    while (type->tp_dealloc == subtype_dealloc) type = type->tp_base;
    return type;
}

static void clear_slots(PyTypeObject *type, PyObject *self)
{
    PyMemberDef *member = type->tp_members;
    for (Py_ssize_t n = Py_SIZE(OBJECT(type)); n > 0; n--, member++) {
        if (member->type != Py_T_OBJECT_EX || member->flags & Py_READONLY) continue;
        PyObject **at = (PyObject **)(void *)((char *)self + member->offset), *old = *at;
        if (!old) continue;
        *at = NULL;
        Py_DECREF(old);
    }
}

/* A destructor that runs here may assign __bases__, and so free the class that is being looked through. */
static void clear_all_slots(PyTypeObject *type, PyObject *self)
{
    bool held = false;
    while (type->tp_dealloc == subtype_dealloc) {
        if (Py_SIZE(OBJECT(type))) {
            if (!held) Py_INCREF(type);
            held = true;
            clear_slots(type, self);
        }
        PyTypeObject *base = type->tp_base;
        if (held) {
            Py_INCREF(base);
            Py_DECREF(type);
        }
        type = base;
    }
    if (held) Py_DECREF(type);
}

static bool has_weak_list(PyTypeObject *type, PyTypeObject *base) { return type->tp_weaklistoffset && !base->tp_weaklistoffset; }

/* True: the object lives on. Called untracked; what is collectable is tracked while Python code runs, which may give it another
 * class. */
static bool finalize(PyTypeObject *type, PyObject *self)
{
    bool collectable = PyType_IS_GC(type);
    if (type->tp_finalize) {
        if (collectable) PyObject_GC_Track(self);
        if (PyObject_CallFinalizerFromDealloc(self) < 0) return true;
        if (collectable) PyObject_GC_UnTrack(self);
        type = Py_TYPE(self);
    }
    PyTypeObject *base = native_base(type);
    if (type->tp_del && type->tp_del != base->tp_del) {
        if (has_weak_list(type, base) && weakref_any(self)) PyObject_ClearWeakRefs(self);
        if (collectable) PyObject_GC_Track(self);
        type->tp_del(self);
        if (Py_REFCNT(self) > 0) return true;
        if (collectable) PyObject_GC_UnTrack(self);
    }
    return false;
}

/* The object is untracked and is not to be found again. */
static void destroy(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    if (type->tp_finalize || type->tp_del) {
        if (finalize(type, self)) return;
        type = Py_TYPE(self);
    }
    PyTypeObject *base = native_base(type);
    if (has_weak_list(type, base) && weakref_any(self)) {
        /* Callbacks may look at the object with the collector; its finaliser has run already. */
        PyObject_ClearWeakRefs(self);
    }
    clear_all_slots(type, self);
    if (type->tp_flags & Py_TPFLAGS_MANAGED_DICT) instance_clear(self);
    else if (type->tp_dictoffset && !base->tp_dictoffset) {
        PyObject **at = _PyObject_GetDictPtr(self);
        if (at) Py_CLEAR(*at);
    }
    base = native_base(type);                                /* the class may have other bases by now */
    bool release_type = type->tp_flags & Py_TPFLAGS_HEAPTYPE && !(base->tp_flags & Py_TPFLAGS_HEAPTYPE);
    if (PyType_IS_GC(type) && base->tp_flags & Py_TPFLAGS_HAVE_GC) PyObject_GC_Track(self);   /* its deallocator untracks */
    base->tp_dealloc(self);
    if (release_type) Py_DECREF(type);
}

/* No slots, no native storage, not even a finaliser: header and attributes. */
static inline void destroy_simple(Thread *t, PyObject *self, PyTypeObject *type, TypeExtra *x, uint8_t *state)
{
    if (UNLIKELY(*state & SLOT_WEAKLY_REFERENCED)) PyObject_ClearWeakRefs(self);
    if (LIKELY(type->tp_flags & Py_TPFLAGS_MANAGED_DICT)) {
        uintptr_t word = *instance_word(self);
        if (!(word & 1)) instance_clear(self);
        else {                                               /* nobody can reach the object any more: its values may go in place */
            PyObject **values = instance_values(self);
            for (int i = 0, count = ((Shape *)(word - 1))->count; i < count; i++) Py_DECREF(values[i]);
        }
    }
    if (UNLIKELY(Py_TYPE(self) != type || type->tp_free != PyObject_GC_Del)) {
        type = Py_TYPE(self);
        type->tp_free(self);
    }
    else gc_free_at(t, self, x->prefix, state);
    Py_DECREF(type);
}

void subtype_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    TypeExtra *x = type_extra(type);
    Thread *t = thread_get();
    assert(type->tp_flags & Py_TPFLAGS_HEAPTYPE);
    if (UNLIKELY(!(type->tp_flags & Py_TPFLAGS_HAVE_GC))) {
        destroy(self);
        return;
    }
    uint8_t *state = slot_state(self);
    if (*state & SLOT_TRACKED) gc_untrack_at(t, self, state);
    if (LIKELY(x->simple && !type->tp_finalize && !type->tp_del)) destroy_simple(t, self, type, x, state);
    else destroy(self);
}

int subtype_traverse(PyObject *self, visitproc visit, void *arg)
{
    PyTypeObject *type = Py_TYPE(self), *base = type;
    if (LIKELY(type->tp_base == &PyBaseObject_Type && type->tp_traverse == subtype_traverse && type->tp_flags & Py_TPFLAGS_MANAGED_DICT &&
               !Py_SIZE(OBJECT(type)))) {                /* a plain class: attributes and the class */
        Shape *shape = instance_shape(self);
        if (LIKELY(shape != NULL)) {
            PyObject **values = instance_values(self);
            for (int i = 0, n = shape->count; i < n; i++) Py_VISIT(values[i]);
        }
        else Py_VISIT(instance_dict_if_any(self));
        Py_VISIT(type);
        return 0;
    }
    for (; base->tp_traverse == subtype_traverse; base = base->tp_base) {
        PyMemberDef *member = base->tp_members;
        for (Py_ssize_t n = Py_SIZE(OBJECT(base)); n > 0; n--, member++)
            if (member->type == Py_T_OBJECT_EX) Py_VISIT(*(PyObject **)(void *)((char *)self + member->offset));
        if (!base->tp_base) break;
    }
    if (type->tp_flags & Py_TPFLAGS_MANAGED_DICT) {
        int status = PyObject_VisitManagedDict(self, visit, arg);
        if (status) return status;
    }
    else if (type->tp_dictoffset != base->tp_dictoffset) {
        PyObject **at = _PyObject_GetDictPtr(self);
        if (at) Py_VISIT(*at);
    }
    /* Bases made from specs visit the type themselves; static ones do not. */
    if (type->tp_flags & Py_TPFLAGS_HEAPTYPE && (!base->tp_traverse || !(base->tp_flags & Py_TPFLAGS_HEAPTYPE))) Py_VISIT(type);
    return base->tp_traverse && base->tp_traverse != subtype_traverse ? base->tp_traverse(self, visit, arg) : 0;
}

int subtype_clear(PyObject *self)
{
    PyTypeObject *base = Py_TYPE(self);
    for (; base->tp_clear == subtype_clear && base->tp_base; base = base->tp_base)
        if (Py_SIZE(OBJECT(base))) clear_slots(base, self);
    if (Py_TYPE(self)->tp_flags & Py_TPFLAGS_MANAGED_DICT) instance_clear(self);
    else if (Py_TYPE(self)->tp_dictoffset != base->tp_dictoffset) {
        PyObject **at = _PyObject_GetDictPtr(self);
        if (at) Py_CLEAR(*at);
    }
    return base->tp_clear && base->tp_clear != subtype_clear ? base->tp_clear(self) : 0;
}

/* ---- __dict__ and __weakref__ ------------------------------------------------------------------------------------------ */

static PyTypeObject *builtin_base_with_dict(PyTypeObject *type)
{
    for (; type->tp_base; type = type->tp_base)
        if (type->tp_dictoffset && !(type->tp_flags & Py_TPFLAGS_HEAPTYPE)) return type;
    return NULL;
}

/* The base's own __dict__ descriptor: NEW, or NULL. */
static PyObject *dict_descriptor(PyTypeObject *base, PyObject *self)
{
    PyObject *descr = type_lookup(base, STR(__dict__));
    if (descr && Py_TYPE(descr)->tp_descr_set) return Py_NewRef(descr);
    PyErr_Format(PyExc_TypeError, "this __dict__ descriptor does not support '%.200s' objects", Py_TYPE(self)->tp_name);
    return NULL;
}

static PyObject *get_dict(PyObject *self, void *context)
{
    PyTypeObject *base = builtin_base_with_dict(Py_TYPE(self));
    if (!base) return PyObject_GenericGetDict(self, context);
    PyObject *descr = dict_descriptor(base, self), *result = NULL;
    if (!descr) return NULL;
    descrgetfunc get = Py_TYPE(descr)->tp_descr_get;
    if (get) result = get(descr, self, OBJECT(Py_TYPE(self)));
    else PyErr_Format(PyExc_TypeError, "this __dict__ descriptor does not support '%.200s' objects", Py_TYPE(self)->tp_name);
    Py_DECREF(descr);
    return result;
}

static int set_dict(PyObject *self, PyObject *value, void *Py_UNUSED(context))
{
    PyTypeObject *base = builtin_base_with_dict(Py_TYPE(self));
    if (base) {
        PyObject *descr = dict_descriptor(base, self);
        if (!descr) return -1;
        int status = Py_TYPE(descr)->tp_descr_set(descr, self, value);
        Py_DECREF(descr);
        return status;
    }
    bool managed = Py_TYPE(self)->tp_flags & Py_TPFLAGS_MANAGED_DICT;
    PyObject **at = managed ? NULL : _PyObject_GetDictPtr(self);
    if (!managed && !at) {
        PyErr_SetString(PyExc_AttributeError, "This object has no __dict__");
        return -1;
    }
    if (value && !PyDict_Check(value)) {
        PyErr_Format(PyExc_TypeError, "__dict__ must be set to a dictionary, not a '%.200s'", Py_TYPE(value)->tp_name);
        return -1;
    }
    if (managed) return _PyObject_SetManagedDict(self, value);
    Py_XSETREF(*at, Py_XNewRef(value));
    return 0;
}

/* Is the type's __dict__ the descriptor that classes get, over storage of ours? */
bool subtype_has_plain_dict(PyTypeObject *type)
{
    PyObject *descr = type_lookup(type, STR(__dict__));
    return descr && Py_IS_TYPE(descr, &PyGetSetDescr_Type) && ((PyGetSetDescrObject *)descr)->d_getset->get == get_dict && !builtin_base_with_dict(type);
}

static PyObject *get_weakref(PyObject *self, void *Py_UNUSED(context))
{
    if (!Py_TYPE(self)->tp_weaklistoffset) {
        PyErr_SetString(PyExc_AttributeError, "This object has no __weakref__");
        return NULL;
    }
    PyWeakReference **list = weakref_list(self, false), *ref = list ? *list : NULL;
    while (ref && Py_REFCNT(ref) <= 0) ref = ref->wr_next;   /* its destruction is under way, or put off */
    return Py_NewRef(ref ? (PyObject *)ref : Py_None);
}

#define DICT { "__dict__", get_dict, set_dict, "dictionary for instance variables", NULL }
#define WEAKREF { "__weakref__", get_weakref, NULL, "list of weak references to the object", NULL }
PyGetSetDef subtype_getset_dict_weak[] = { DICT, WEAKREF, { NULL } };
PyGetSetDef subtype_getset_dict[] = { DICT, { NULL } };
PyGetSetDef subtype_getset_weak[] = { WEAKREF, { NULL } };
