/* The attributes of class objects that are computed or checked: __name__, __bases__, __doc__, __annotations__ ...
 *
 * The hard one is __bases__: it changes the MRO of the class and of all classes below it, and must undo everything when one
 * of them has no consistent order. */
#include "objects/type.h"

#include "objects/unicode.h"

#define TYPE(o) ((PyTypeObject *)(o))
#define HEAP(o) ((PyHeapTypeObject *)(o))

static bool is_heap(PyTypeObject *type) { return type->tp_flags & Py_TPFLAGS_HEAPTYPE; }

/* false with TypeError when the attribute of this type may not be set to value (NULL: deleted). */
static bool may_set(PyTypeObject *type, PyObject *value, const char *name)
{
    if (type->tp_flags & Py_TPFLAGS_IMMUTABLETYPE) {
        PyErr_Format(PyExc_TypeError, "cannot set '%s' attribute of immutable type '%s'", name, type->tp_name);
        return false;
    }
    if (!value) {
        PyErr_Format(PyExc_TypeError, "cannot delete '%s' attribute of immutable type '%s'", name, type->tp_name);
        return false;
    }
    return PySys_Audit("object.__setattr__", "OsO", type, name, value) >= 0;
}

/* NEW, or NULL without exception. */
static PyObject *from_dict(PyTypeObject *type, PyObject *name)
{
    PyObject *value = NULL;
    if (type->tp_dict) PyDict_GetItemRef(type->tp_dict, name, &value);
    return value;
}

/* ---- names --------------------------------------------------------------------------------------------------------- */

PyObject *PyType_GetName(PyTypeObject *type)
{
    if (is_heap(type)) return Py_NewRef(HEAP(type)->ht_name);
    return PyUnicode_InternFromString(type_short_name(type));
}

PyObject *PyType_GetQualName(PyTypeObject *type)
{
    if (is_heap(type)) return Py_NewRef(HEAP(type)->ht_qualname);
    return PyUnicode_InternFromString(type_short_name(type));
}

PyObject *PyType_GetModuleName(PyTypeObject *type)
{
    if (is_heap(type)) {
        PyObject *module = from_dict(type, STR(__module__));
        if (!module && !PyErr_Occurred()) PyErr_Format(PyExc_AttributeError, "__module__");
        return module;
    }
    const char *dot = strrchr(type->tp_name, '.');
    if (!dot) return Py_NewRef(STR(builtins));
    PyObject *module = PyUnicode_FromStringAndSize(type->tp_name, dot - type->tp_name);
    if (module) PyUnicode_InternInPlace(&module);
    return module;
}

/* "module.qualname", without the module where that is builtins or __main__. */
PyObject *PyType_GetFullyQualifiedName(PyTypeObject *type)
{
    if (!is_heap(type)) return PyUnicode_FromString(type->tp_name);
    PyObject *qualname = PyType_GetQualName(type), *module, *result;
    if (!qualname) return NULL;
    if (!(module = PyType_GetModuleName(type))) {
        Py_DECREF(qualname);
        return NULL;
    }
    if (PyUnicode_Check(module) && !str_equal(module, STR(builtins)) && !str_equal(module, STR(__main__)))
        result = PyUnicode_FromFormat("%U.%U", module, qualname);
    else result = Py_NewRef(qualname);
    Py_DECREF(module);
    Py_DECREF(qualname);
    return result;
}

static PyObject *get_name(PyObject *self, void *Py_UNUSED(c)) { return PyType_GetName(TYPE(self)); }
static PyObject *get_qualname(PyObject *self, void *Py_UNUSED(c)) { return PyType_GetQualName(TYPE(self)); }
static PyObject *get_module(PyObject *self, void *Py_UNUSED(c)) { return PyType_GetModuleName(TYPE(self)); }

static int set_name(PyObject *self, PyObject *value, void *Py_UNUSED(c))
{
    PyTypeObject *type = TYPE(self);
    if (!may_set(type, value, "__name__")) return -1;
    if (!PyUnicode_Check(value)) {
        PyErr_Format(PyExc_TypeError, "can only assign string to %s.__name__, not '%s'", type->tp_name, Py_TYPE(value)->tp_name);
        return -1;
    }
    Py_ssize_t n;
    const char *text = PyUnicode_AsUTF8AndSize(value, &n);
    if (!text) return -1;
    if (strlen(text) != (size_t)n) {
        PyErr_SetString(PyExc_ValueError, "type name must not contain null characters");
        return -1;
    }
    type->tp_name = text;
    Py_SETREF(HEAP(type)->ht_name, Py_NewRef(value));
    return 0;
}

static int set_qualname(PyObject *self, PyObject *value, void *Py_UNUSED(c))
{
    PyTypeObject *type = TYPE(self);
    if (!may_set(type, value, "__qualname__")) return -1;
    if (!PyUnicode_Check(value)) {
        PyErr_Format(PyExc_TypeError, "can only assign string to %s.__qualname__, not '%s'", type->tp_name, Py_TYPE(value)->tp_name);
        return -1;
    }
    Py_SETREF(HEAP(type)->ht_qualname, Py_NewRef(value));
    return 0;
}

static int set_module(PyObject *self, PyObject *value, void *Py_UNUSED(c))
{
    if (!may_set(TYPE(self), value, "__module__")) return -1;
    PyType_Modified(TYPE(self));
    if (PyDict_Pop(TYPE(self)->tp_dict, STR(__firstlineno__), NULL) < 0) return -1;
    return PyDict_SetItem(TYPE(self)->tp_dict, STR(__module__), value);
}

/* ---- abstract methods ------------------------------------------------------------------------------------------------- */

static PyObject *get_abstractmethods(PyObject *self, void *Py_UNUSED(c))
{
    /* type itself has this very descriptor in its dict */
    PyObject *result = TYPE(self) != &PyType_Type ? from_dict(TYPE(self), STR(__abstractmethods__)) : NULL;
    if (!result && !PyErr_Occurred()) PyErr_SetObject(PyExc_AttributeError, STR(__abstractmethods__));
    return result;
}

static int set_abstractmethods(PyObject *self, PyObject *value, void *Py_UNUSED(c))
{
    PyTypeObject *type = TYPE(self);
    int abstract = 0, status;
    if (value) {
        abstract = PyObject_IsTrue(value);
        if (abstract < 0) return -1;
        status = PyDict_SetItem(type->tp_dict, STR(__abstractmethods__), value);
    }
    else {
        status = PyDict_Pop(type->tp_dict, STR(__abstractmethods__), NULL);
        if (status == 0) PyErr_SetObject(PyExc_AttributeError, STR(__abstractmethods__));
        status = status > 0 ? 0 : -1;
    }
    if (status < 0) return -1;
    PyType_Modified(type);
    if (abstract) type->tp_flags |= Py_TPFLAGS_IS_ABSTRACT;
    else type->tp_flags &= ~Py_TPFLAGS_IS_ABSTRACT;
    return 0;
}

/* ---- documentation, annotations, type parameters ------------------------------------------------------------------------ */

static PyObject *get_doc(PyObject *self, void *Py_UNUSED(c))
{
    PyTypeObject *type = TYPE(self);
    if (!is_heap(type) && type->tp_doc) return type_find_doc(type->tp_name, type->tp_doc);
    PyObject *doc = from_dict(type, STR(__doc__));
    if (!doc) return PyErr_Occurred() ? NULL : Py_NewRef(Py_None);
    descrgetfunc get = Py_TYPE(doc)->tp_descr_get;
    if (get) Py_SETREF(doc, get(doc, NULL, self));
    return doc;
}

static int set_doc(PyObject *self, PyObject *value, void *Py_UNUSED(c))
{
    if (!may_set(TYPE(self), value, "__doc__")) return -1;
    PyType_Modified(TYPE(self));
    return PyDict_SetItem(TYPE(self)->tp_dict, STR(__doc__), value);
}

static PyObject *get_text_signature(PyObject *self, void *Py_UNUSED(c))
{
    return type_find_text_signature(TYPE(self)->tp_name, TYPE(self)->tp_doc);
}

static PyObject *get_annotations(PyObject *self, void *Py_UNUSED(c))
{
    PyTypeObject *type = TYPE(self);
    if (!is_heap(type)) {
        PyErr_Format(PyExc_AttributeError, "type object '%s' has no attribute '__annotations__'", type->tp_name);
        return NULL;
    }
    PyObject *annotations = from_dict(type, STR(__annotations__));
    if (annotations) {
        descrgetfunc get = Py_TYPE(annotations)->tp_descr_get;
        if (get) Py_SETREF(annotations, get(annotations, NULL, self));
        return annotations;
    }
    if (PyErr_Occurred() || !(annotations = PyDict_New())) return NULL;
    if (PyDict_SetItem(type->tp_dict, STR(__annotations__), annotations) < 0) Py_CLEAR(annotations);
    else PyType_Modified(type);
    return annotations;
}

static int set_annotations(PyObject *self, PyObject *value, void *Py_UNUSED(c))
{
    PyTypeObject *type = TYPE(self);
    if (type->tp_flags & Py_TPFLAGS_IMMUTABLETYPE) {
        PyErr_Format(PyExc_TypeError, "cannot set '__annotations__' attribute of immutable type '%s'", type->tp_name);
        return -1;
    }
    int status;
    if (value) status = PyDict_SetItem(type->tp_dict, STR(__annotations__), value);
    else {
        status = PyDict_Pop(type->tp_dict, STR(__annotations__), NULL);
        if (status == 0) PyErr_SetString(PyExc_AttributeError, "__annotations__");
        status = status > 0 ? 0 : -1;
    }
    if (status == 0) PyType_Modified(type);
    return status;
}

static PyObject *get_type_params(PyObject *self, void *Py_UNUSED(c))
{
    if (TYPE(self) == &PyType_Type) return PyTuple_New(0);
    PyObject *params = from_dict(TYPE(self), STR(__type_params__));
    return params || PyErr_Occurred() ? params : PyTuple_New(0);
}

static int set_type_params(PyObject *self, PyObject *value, void *Py_UNUSED(c))
{
    if (!may_set(TYPE(self), value, "__type_params__")) return -1;
    int status = PyDict_SetItem(TYPE(self)->tp_dict, STR(__type_params__), value);
    PyType_Modified(TYPE(self));
    return status;
}

/* ---- dict and order -------------------------------------------------------------------------------------------------------- */

static PyObject *get_dict(PyObject *self, void *Py_UNUSED(c))
{
    PyObject *dict = TYPE(self)->tp_dict;
    return dict ? PyDictProxy_New(dict) : Py_NewRef(Py_None);
}

static PyObject *get_mro(PyObject *self, void *Py_UNUSED(c))
{
    PyObject *mro = TYPE(self)->tp_mro;
    return Py_NewRef(mro ? mro : Py_None);
}

static PyObject *get_bases(PyObject *self, void *Py_UNUSED(c)) { return Py_XNewRef(TYPE(self)->tp_bases); }

/* ---- compatible layouts ------------------------------------------------------------------------------------------------------ */

static bool adds_nothing(PyTypeObject *child)
{
    PyTypeObject *parent = child->tp_base;
    return parent && child->tp_basicsize == parent->tp_basicsize && child->tp_itemsize == parent->tp_itemsize &&
           child->tp_dictoffset == parent->tp_dictoffset && child->tp_weaklistoffset == parent->tp_weaklistoffset &&
           (child->tp_flags & Py_TPFLAGS_HAVE_GC) == (parent->tp_flags & Py_TPFLAGS_HAVE_GC) &&
           (child->tp_clear == subtype_clear || child->tp_clear == parent->tp_clear);
}

/* Both add the same slots to the same base. -1 on error. */
static int same_slots_added(PyTypeObject *a, PyTypeObject *b)
{
    PyTypeObject *base = a->tp_base;
    if (base != b->tp_base || !is_heap(a) || !is_heap(b)) return 0;
    Py_ssize_t size = base->tp_basicsize, word = (Py_ssize_t)sizeof(PyObject *);
    if (a->tp_dictoffset == size && b->tp_dictoffset == size) size += word;
    if (a->tp_weaklistoffset == size && b->tp_weaklistoffset == size) size += word;
    PyObject *slots_a = HEAP(a)->ht_slots, *slots_b = HEAP(b)->ht_slots;
    if (slots_a && slots_b) {
        Py_ssize_t n = PyTuple_GET_SIZE(slots_a), size_a = a->tp_basicsize, size_b = b->tp_basicsize;
        Py_INCREF(slots_a);                                  /* names may be of a subclass of str, with a hostile __eq__ */
        Py_INCREF(slots_b);
        int equal = PyObject_RichCompareBool(slots_a, slots_b, Py_EQ);
        Py_DECREF(slots_a);
        Py_DECREF(slots_b);
        size += word * n;
        return equal == 1 ? size == size_a && size == size_b : equal;
    }
    return size == a->tp_basicsize && size == b->tp_basicsize;
}

/* May an object of type (or: with base) `from` become one of `to`? 1, or 0 with TypeError. */
int type_compatible_for_assignment(PyTypeObject *from, PyTypeObject *to, const char *attr)
{
    if (to->tp_free != from->tp_free) {
        PyErr_Format(PyExc_TypeError, "%s assignment: '%s' deallocator differs from '%s'", attr, to->tp_name, from->tp_name);
        return 0;
    }
    PyTypeObject *a = to, *b = from;
    while (adds_nothing(a)) a = a->tp_base;
    while (adds_nothing(b)) b = b->tp_base;
    Py_INCREF(from);                                         /* the object may have another class after the comparison */
    bool differ = a != b && (a->tp_base != b->tp_base || same_slots_added(a, b) != 1);
    if ((from->tp_flags ^ to->tp_flags) & Py_TPFLAGS_PREHEADER) differ = true;
    if (!differ && to->tp_flags & Py_TPFLAGS_MANAGED_DICT && type_extra(to)->prefix != type_extra(from)->prefix) differ = true;
    if (differ) PyErr_Format(PyExc_TypeError, "%s assignment: '%s' object layout differs from '%s'", attr, to->tp_name, from->tp_name);
    Py_DECREF(from);
    return !differ;
}

/* ---- __bases__ = ... ------------------------------------------------------------------------------------------------------------ */

/* Recomputes the MRO of type and of all its subclasses; log gets (class, new MRO, old MRO) of each, so that it can be undone. */
static int recompute_hierarchy(PyTypeObject *type, PyObject *log)
{
    PyObject *old = NULL;
    int changed = type_mro_compute(type, &old);
    if (changed <= 0) return changed;                        /* 0: a reentrant call has done it better */
    PyObject *entry = old ? PyTuple_Pack(3, type, type->tp_mro, old) : PyTuple_Pack(2, type, type->tp_mro);
    Py_XDECREF(old);
    if (!entry) return -1;
    int status = PyList_Append(log, entry);
    Py_DECREF(entry);
    if (status < 0) return -1;
    for (Py_ssize_t i = 0;; i++) {
        SubclassList *list = *type_subclass_slot(type);
        if (!list || i >= list->count) return 0;
        if (Py_REFCNT(list->items[i]) <= 0) continue;        /* its destruction was put off */
        PyTypeObject *subclass = (PyTypeObject *)Py_NewRef(list->items[i]);
        status = recompute_hierarchy(subclass, log);
        Py_DECREF(subclass);
        if (status < 0) return -1;
    }
}

static void restore_hierarchy(PyObject *log)
{
    PyObject *saved = PyErr_GetRaisedException();
    for (Py_ssize_t i = PyList_GET_SIZE(log) - 1; i >= 0; i--) {
        PyObject *entry = PyList_GET_ITEM(log, i);
        PyTypeObject *type = TYPE(PyTuple_GET_ITEM(entry, 0));
        if (type->tp_mro != PyTuple_GET_ITEM(entry, 1)) continue;    /* replaced since */
        PyObject *old = PyTuple_GET_SIZE(entry) == 3 ? PyTuple_GET_ITEM(entry, 2) : NULL;
        PyType_Modified(type);
        Py_XSETREF(type->tp_mro, Py_XNewRef(old));
    }
    PyErr_SetRaisedException(saved);
}

static int update_all_slots(PyTypeObject *type)
{
    if (type_fix_slots(type) < 0) return -1;
    SubclassList *list;
    for (Py_ssize_t i = 0; (list = *type_subclass_slot(type)) && i < list->count; i++) {
        if (Py_REFCNT(list->items[i]) <= 0) continue;
        PyTypeObject *subclass = (PyTypeObject *)Py_NewRef(list->items[i]);
        int status = update_all_slots(subclass);
        Py_DECREF(subclass);
        if (status < 0) return -1;
    }
    return 0;
}

static bool in_base_chain(PyTypeObject *a, PyTypeObject *b)
{
    for (; a; a = a->tp_base)
        if (a == b) return true;
    return b == &PyBaseObject_Type;
}

static PyTypeObject *check_bases(PyTypeObject *type, PyObject *bases)
{
    if (!PyTuple_Check(bases)) {
        PyErr_Format(PyExc_TypeError, "can only assign tuple to %s.__bases__, not %s", type->tp_name, Py_TYPE(bases)->tp_name);
        return NULL;
    }
    if (PyTuple_GET_SIZE(bases) == 0) {
        PyErr_Format(PyExc_TypeError, "can only assign non-empty tuple to %s.__bases__, not ()", type->tp_name);
        return NULL;
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(bases); i++) {
        PyObject *o = PyTuple_GET_ITEM(bases, i);
        if (!PyType_Check(o)) {
            PyErr_Format(PyExc_TypeError, "%s.__bases__ must be tuple of classes, not '%s'", type->tp_name, Py_TYPE(o)->tp_name);
            return NULL;
        }
        /* the second test: an mro() override may hide the first */
        if (PyType_IsSubtype(TYPE(o), type) || (TYPE(o)->tp_mro && in_base_chain(TYPE(o), type))) {
            PyErr_SetString(PyExc_TypeError, "a __bases__ item causes an inheritance cycle");
            return NULL;
        }
    }
    PyTypeObject *base = type_best_base(bases);
    return base && type_compatible_for_assignment(type->tp_base, base, "__bases__") ? base : NULL;
}

static void move_in_subclass_lists(PyTypeObject *type, PyObject *bases, bool add, int *status)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(bases); i++) {
        PyTypeObject *base = TYPE(PyTuple_GET_ITEM(bases, i));
        if (!PyType_Check(OBJECT(base))) continue;
        if (!add) type_remove_subclass(base, type);
        else if (type_add_subclass(base, type) < 0) *status = -1;
    }
}

static int set_bases(PyObject *self, PyObject *bases, void *Py_UNUSED(c))
{
    PyTypeObject *type = TYPE(self);
    if (!may_set(type, bases, "__bases__")) return -1;
    PyTypeObject *base = check_bases(type, bases);
    if (!base) return -1;
    PyObject *log = PyList_New(0);
    if (!log) return -1;
    PyObject *old_bases = type->tp_bases;
    PyTypeObject *old_base = type->tp_base;
    TypeExtra *x = type_extra(type);
    bool listed = x && !(type->tp_flags & Py_TPFLAGS_READYING);      /* else PyType_Ready lists it when it is through */
    bool outermost = listed && !x->listed_under;             /* an mro() called below may assign as well */
    if (outermost) x->listed_under = Py_NewRef(old_bases);
    type->tp_bases = Py_NewRef(bases);
    type->tp_base = (PyTypeObject *)Py_NewRef(base);
    int status = recompute_hierarchy(type, log);
    if (status < 0) {
        restore_hierarchy(log);
        if (type->tp_bases == bases) {
            type->tp_bases = old_bases;
            type->tp_base = old_base;
            old_bases = bases;
            old_base = base;
        }
        PyType_Modified(type);
    }
    else if (type->tp_bases == bases) {                      /* else a reentrant assignment won: keep its work */
        if (listed) {
            move_in_subclass_lists(type, x->listed_under, false, &status);
            move_in_subclass_lists(type, bases, true, &status);
            Py_SETREF(x->listed_under, Py_NewRef(bases));
        }
        if (status == 0) status = update_all_slots(type);
        type_forget_all_versions();                          /* it may have become a descriptor's class */
    }
    if (outermost) Py_CLEAR(x->listed_under);
    Py_DECREF(log);
    Py_DECREF(old_bases);
    Py_DECREF(old_base);
    return status;
}

PyGetSetDef type_getset[] = {
    { "__name__", get_name, set_name, NULL, NULL },
    { "__qualname__", get_qualname, set_qualname, NULL, NULL },
    { "__bases__", get_bases, set_bases, NULL, NULL },
    { "__mro__", get_mro, NULL, NULL, NULL },
    { "__module__", get_module, set_module, NULL, NULL },
    { "__abstractmethods__", get_abstractmethods, set_abstractmethods, NULL, NULL },
    { "__dict__", get_dict, NULL, NULL, NULL },
    { "__doc__", get_doc, set_doc, NULL, NULL },
    { "__text_signature__", get_text_signature, NULL, NULL, NULL },
    { "__annotations__", get_annotations, set_annotations, NULL, NULL },
    { "__type_params__", get_type_params, set_type_params, NULL, NULL },
    { NULL },
};
