/* property. */
#include "objects/type.h"

#include "capi/args.h"
#include "objects/unicode.h"

typedef struct Property {
    PyObject_HEAD
    PyObject *get, *set, *del;                                /* NULL: none */
    PyObject *doc;                                            /* of properties proper; subclasses keep it as an attribute */
    PyObject *name;
    int doc_from_getter;
    bool getter_cached;                                       /* specialised code holds `get`, without a reference */
} Property;
_Static_assert(sizeof(Property) == 64, "__basicsize__ is CPython's");

#define PROPERTY(o) ((Property *)(o))

static bool is_exact(PyObject *o) { return Py_IS_TYPE(o, &PyProperty_Type); }
static PyObject *none_to_null(PyObject *o) { return o == Py_None ? NULL : o; }

/* ---- name ------------------------------------------------------------------------------------------------------------------ */

/* 1 and NEW *name: the one set, or that of the getter; 0: neither; -1. */
static int property_name(Property *p, PyObject **name)
{
    if (p->name) {
        *name = Py_NewRef(p->name);
        return 1;
    }
    *name = NULL;
    return p->get ? PyObject_GetOptionalAttr(p->get, STR(__name__), name) : 0;
}

static PyObject *get_name(PyObject *self, void *Py_UNUSED(c))
{
    PyObject *name;
    int found = property_name(PROPERTY(self), &name);
    if (found == 0) PyErr_SetString(PyExc_AttributeError, "'property' object has no attribute '__name__'");
    return name;
}

static int set_name(PyObject *self, PyObject *value, void *Py_UNUSED(c))
{
    Py_XSETREF(PROPERTY(self)->name, Py_XNewRef(value));
    return 0;
}

BUILTIN_FAST(property, __set_name__, "($self, owner, name, /)", "Set the name of the property.")
{
    if (nargs != 2) {
        PyErr_Format(PyExc_TypeError, "__set_name__() takes 2 positional arguments but %zd were given", nargs);
        return NULL;
    }
    Py_XSETREF(PROPERTY(self)->name, Py_NewRef(args[1]));
    Py_RETURN_NONE;
}

/* ---- making ---------------------------------------------------------------------------------------------------------------- */

/* Where the documentation is the getter's: into the object, or for subclasses into an attribute if they allow that. */
static int store_doc(Property *self, PyObject *doc)
{
    if (is_exact(OBJECT(self))) {
        Py_XSETREF(self->doc, Py_NewRef(doc));
        return 0;
    }
    int status = PyObject_SetAttr(OBJECT(self), STR(__doc__), doc);
    if (status == 0 || self->doc_from_getter || !PyErr_ExceptionMatches(PyExc_AttributeError)) return status;
    PyErr_Clear();                                            /* __slots__ without __doc__: silently dropped */
    return 0;
}

/* Code that relies on it checks the version of the owner's class, and function versions, which only a live function has.
 * NULL: no getter. */
PyObject *property_getter_to_cache(PyObject *self)
{
    PROPERTY(self)->getter_cached = true;
    return PROPERTY(self)->get;
}

static int initialize(Property *self, PyObject *get, PyObject *set, PyObject *del, PyObject *doc)
{
    if (UNLIKELY(self->getter_cached)) {                      /* __init__ again: which classes have the property is not known */
        self->getter_cached = false;
        type_forget_all_versions();
    }
    Py_XSETREF(self->get, Py_XNewRef(none_to_null(get)));
    Py_XSETREF(self->set, Py_XNewRef(none_to_null(set)));
    Py_XSETREF(self->del, Py_XNewRef(none_to_null(del)));
    Py_CLEAR(self->doc);
    Py_CLEAR(self->name);
    self->doc_from_getter = 0;
    PyObject *text = NULL;
    if (doc && doc != Py_None) text = Py_NewRef(doc);
    else if (self->get) {
        if (PyObject_GetOptionalAttr(self->get, STR(__doc__), &text) < 0) return -1;
        if (text == Py_None) Py_CLEAR(text);
        if (text) self->doc_from_getter = 1;
    }
    int status = 0;
    if (text || !is_exact(OBJECT(self))) status = store_doc(self, text ? text : Py_None);
    Py_XDECREF(text);
    return status;
}

SIGNATURE(property_signature, "property", KEYWORDS, "(fget=None, fset=None, fdel=None, doc=None)");

static int property_init(PyObject *self, PyObject *args, PyObject *kwds)
{
    PyObject *arg[4];
    if (args_bind_tuple(&property_signature, args, kwds, arg) < 0) return -1;
    for (int i = 0; i < 4; i++)
        if (!arg[i]) arg[i] = Py_None;
    return initialize(PROPERTY(self), arg[0], arg[1], arg[2], arg[3]);
}

/* A property of the same class, with what is not NULL or None replaced. */
static PyObject *property_copy(PyObject *old_object, PyObject *get, PyObject *set, PyObject *del)
{
    Property *old = PROPERTY(old_object);
    PyObject *doc = old->doc_from_getter && get && get != Py_None ? Py_None : old->doc ? old->doc : Py_None;
    if (!get || get == Py_None) get = old->get ? old->get : Py_None;
    if (!set || set == Py_None) set = old->set ? old->set : Py_None;
    if (!del || del == Py_None) del = old->del ? old->del : Py_None;
    if (old->doc_from_getter && get != Py_None) doc = Py_None;   /* the new getter's */
    PyObject *args[] = { get, set, del, doc };
    PyObject *new = PyObject_Vectorcall(OBJECT(Py_TYPE(old_object)), args, 4, NULL);
    if (new && PyObject_TypeCheck(new, &PyProperty_Type)) Py_XSETREF(PROPERTY(new)->name, Py_XNewRef(old->name));
    return new;
}

BUILTIN_O(property, getter, "($self, object, /)", "The same property with another getter.") { return property_copy(self, arg, NULL, NULL); }
BUILTIN_O(property, setter, "($self, object, /)", "The same property with another setter.") { return property_copy(self, NULL, arg, NULL); }
BUILTIN_O(property, deleter, "($self, object, /)", "The same property with another deleter.") { return property_copy(self, NULL, NULL, arg); }

/* ---- access ------------------------------------------------------------------------------------------------------------------ */

COLD NOINLINE static void access_error(Property *p, PyObject *obj, const char *what)
{
    PyObject *name, *qualname;
    if (property_name(p, &name) < 0) return;
    if (!(qualname = PyType_GetQualName(Py_TYPE(obj)))) {
        Py_XDECREF(name);
        return;
    }
    if (name) PyErr_Format(PyExc_AttributeError, "property %R of %R object has no %s", name, qualname, what);
    else PyErr_Format(PyExc_AttributeError, "property of %R object has no %s", qualname, what);
    Py_XDECREF(name);
    Py_DECREF(qualname);
}

static PyObject *property_descr_get(PyObject *self, PyObject *obj, PyObject *type)
{
    (void)type;
    if (!obj || obj == Py_None) return Py_NewRef(self);
    if (LIKELY(PROPERTY(self)->get != NULL)) return PyObject_CallOneArg(PROPERTY(self)->get, obj);
    access_error(PROPERTY(self), obj, "getter");
    return NULL;
}

static int property_descr_set(PyObject *self, PyObject *obj, PyObject *value)
{
    PyObject *function = value ? PROPERTY(self)->set : PROPERTY(self)->del;
    if (!function) {
        access_error(PROPERTY(self), obj, value ? "setter" : "deleter");
        return -1;
    }
    PyObject *args[] = { obj, value };
    PyObject *result = PyObject_Vectorcall(function, args, value ? 2 : 1, NULL);
    Py_XDECREF(result);
    return result ? 0 : -1;
}

static int is_abstract(PyObject *function)
{
    PyObject *value;
    if (!function) return 0;
    if (stack_check() < 0) return -1;
    int found = PyObject_GetOptionalAttr(function, STR(__isabstractmethod__), &value);
    if (found <= 0) return found;
    int truth = PyObject_IsTrue(value);
    Py_DECREF(value);
    return truth;
}

static PyObject *get_isabstractmethod(PyObject *self, void *Py_UNUSED(c))
{
    Property *p = PROPERTY(self);
    PyObject *const functions[] = { p->get, p->set, p->del };
    for (size_t i = 0; i < ARRAY_LENGTH(functions); i++) {
        int r = is_abstract(functions[i]);
        if (r) return r < 0 ? NULL : Py_NewRef(Py_True);
    }
    Py_RETURN_FALSE;
}

/* ---- the type ------------------------------------------------------------------------------------------------------------------ */

static void property_dealloc(PyObject *self)
{
    Property *p = PROPERTY(self);
    PyObject_GC_UnTrack(self);
    Py_XDECREF(p->get);
    Py_XDECREF(p->set);
    Py_XDECREF(p->del);
    Py_XDECREF(p->doc);
    Py_XDECREF(p->name);
    Py_TYPE(self)->tp_free(self);
}

static int property_traverse(PyObject *self, visitproc visit, void *arg)
{
    Property *p = PROPERTY(self);
    Py_VISIT(p->get);
    Py_VISIT(p->set);
    Py_VISIT(p->del);
    Py_VISIT(p->doc);
    Py_VISIT(p->name);
    return 0;
}

/* `get` stays: a finaliser may run code that has it cached. */
static int property_clear(PyObject *self)
{
    Py_CLEAR(PROPERTY(self)->doc);
    return 0;
}

static PyMemberDef property_members[] = {
    { "fget", _Py_T_OBJECT, offsetof(Property, get), Py_READONLY, NULL },
    { "fset", _Py_T_OBJECT, offsetof(Property, set), Py_READONLY, NULL },
    { "fdel", _Py_T_OBJECT, offsetof(Property, del), Py_READONLY, NULL },
    { "__doc__", _Py_T_OBJECT, offsetof(Property, doc), 0, NULL },
    { NULL },
};

static PyGetSetDef property_getset[] = {
    { "__name__", get_name, set_name, NULL, NULL }, { "__isabstractmethod__", get_isabstractmethod, NULL, NULL, NULL }, { NULL },
};

static PyMethodDef property_methods[] = {
    METHOD(property, getter), METHOD(property, setter), METHOD(property, deleter),
    METHOD_BARE(property, __set_name__), { NULL },
};

PyTypeObject PyProperty_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "property",
    .tp_basicsize = sizeof(Property),
    .tp_dealloc = property_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .tp_doc = "property(fget=None, fset=None, fdel=None, doc=None)\n--\n\nAn attribute that functions compute.\n\n"
              "fget(self) reads it, fset(self, value) sets it, fdel(self) deletes it; doc is its\n"
              "documentation, by default that of fget. As a decorator it makes a method a\n"
              "read-only attribute; its methods getter, setter and deleter decorate the others:\n\n"
              "    @property\n    def size(self): ...\n    @size.setter\n    def size(self, value): ...",
    .tp_traverse = property_traverse,
    .tp_clear = property_clear,
    .tp_methods = property_methods,
    .tp_members = property_members,
    .tp_getset = property_getset,
    .tp_descr_get = property_descr_get,
    .tp_descr_set = property_descr_set,
    .tp_init = property_init,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = PyType_GenericNew,
    .tp_free = PyObject_GC_Del,
};
