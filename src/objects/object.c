/* The type `object`: its constructor, its methods, the class of an object. Pickling support is in object_reduce.c. */
#include "objects/instance.h"

#include "capi/args.h"
#include "objects/unicode.h"

/* ---- new and init ---------------------------------------------------------------------------------------------------- */

static bool has_arguments(PyObject *args, PyObject *kwds) { return PyTuple_GET_SIZE(args) || (kwds && PyDict_GET_SIZE(kwds)); }

/* Arguments that neither __new__ nor __init__ takes are an error: of __new__ where __init__ is object's too. */
COLD NOINLINE static bool excess_in_new(PyTypeObject *type)
{
    if (type->tp_new != object_new) {
        PyErr_SetString(PyExc_TypeError, "object.__new__() takes exactly one argument (the type to instantiate)");
        return true;
    }
    if (type->tp_init == object_init) {
        PyErr_Format(PyExc_TypeError, "%.200s() takes no arguments", type->tp_name);
        return true;
    }
    return false;
}

int object_init(PyObject *self, PyObject *args, PyObject *kwds)
{
    PyTypeObject *type = Py_TYPE(self);
    if (LIKELY(!has_arguments(args, kwds))) return 0;
    if (type->tp_init != object_init) {
        PyErr_SetString(PyExc_TypeError, "object.__init__() takes exactly one argument (the instance to initialize)");
        return -1;
    }
    if (type->tp_new == object_new) {
        PyErr_Format(PyExc_TypeError, "%.200s.__init__() takes exactly one argument (the instance to initialize)", type->tp_name);
        return -1;
    }
    return 0;
}

COLD NOINLINE static PyObject *abstract_error(PyTypeObject *type)
{
    PyObject *methods = NULL, *sorted = NULL, *comma = NULL, *joined = NULL;
    if (!(methods = PyObject_GetAttr(OBJECT(type), STR(__abstractmethods__)))) goto done;
    if (!(sorted = PySequence_List(methods)) || PyList_Sort(sorted) < 0) goto done;
    Py_ssize_t count = PyList_GET_SIZE(sorted);
    if (!(comma = PyUnicode_FromString("', '")) || !(joined = PyUnicode_Join(comma, sorted))) goto done;
    PyErr_Format(PyExc_TypeError, "Can't instantiate abstract class %s without an implementation for abstract method%s '%U'",
                 type->tp_name, count > 1 ? "s" : "", joined);
done:
    Py_XDECREF(methods);
    Py_XDECREF(sorted);
    Py_XDECREF(comma);
    Py_XDECREF(joined);
    return NULL;
}

PyObject *object_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    if (UNLIKELY(has_arguments(args, kwds)) && excess_in_new(type)) return NULL;
    if (UNLIKELY(type->tp_flags & Py_TPFLAGS_IS_ABSTRACT)) return abstract_error(type);
    return type->tp_alloc(type, 0);
}

static void object_dealloc(PyObject *self) { Py_TYPE(self)->tp_free(self); }

/* ---- text, comparison -------------------------------------------------------------------------------------------------- */

static PyObject *object_repr(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject *module = PyType_GetModuleName(type), *qualname = NULL, *result = NULL;
    if (!module || !PyUnicode_Check(module)) {
        if (!module) PyErr_Clear();
        Py_CLEAR(module);
    }
    if (!(qualname = PyType_GetQualName(type))) goto done;
    if (module && !str_equal(module, STR(builtins))) result = PyUnicode_FromFormat("<%U.%U object at %p>", module, qualname, self);
    else result = PyUnicode_FromFormat("<%s object at %p>", type->tp_name, self);
done:
    Py_XDECREF(module);
    Py_XDECREF(qualname);
    return result;
}

static PyObject *object_str(PyObject *self)
{
    reprfunc repr = Py_TYPE(self)->tp_repr;
    return (repr ? repr : object_repr)(self);
}

static PyObject *object_richcompare(PyObject *self, PyObject *other, int op)
{
    PyObject *result = Py_NotImplemented;
    if (op == Py_EQ) {                                       /* different objects: let the other side say */
        if (self == other) result = Py_True;
    }
    else if (op == Py_NE && Py_TYPE(self)->tp_richcompare) { /* by default the inverse of == */
        PyObject *equal = Py_TYPE(self)->tp_richcompare(self, other, Py_EQ);
        if (!equal || equal == Py_NotImplemented) return equal;
        int truth = PyObject_IsTrue(equal);
        Py_DECREF(equal);
        if (truth < 0) return NULL;
        result = truth ? Py_False : Py_True;
    }
    return Py_NewRef(result);
}

Py_hash_t object_hash(PyObject *self);
Py_hash_t object_hash(PyObject *self)                        /* neighbours differ by 16: rotate the dead bits away */
{
    uintptr_t a = (uintptr_t)self;
    Py_hash_t h = (Py_hash_t)((a >> 4) | (a << (8 * sizeof a - 4)));
    return h == -1 ? -2 : h;
}

/* ---- __class__ ----------------------------------------------------------------------------------------------------------- */

static PyObject *get_class(PyObject *self, void *Py_UNUSED(c)) { return Py_NewRef(Py_TYPE(self)); }

static int set_class(PyObject *self, PyObject *value, void *Py_UNUSED(c))
{
    if (!value) {
        PyErr_SetString(PyExc_TypeError, "can't delete __class__ attribute");
        return -1;
    }
    if (!PyType_Check(value)) {
        PyErr_Format(PyExc_TypeError, "__class__ must be set to a class, not '%s' object", Py_TYPE(value)->tp_name);
        return -1;
    }
    PyTypeObject *to = (PyTypeObject *)value, *from = Py_TYPE(self);
    if (PySys_Audit("object.__setattr__", "OsO", self, "__class__", value) < 0) return -1;
again:
    from = Py_TYPE(self);
    bool modules = PyType_IsSubtype(to, &PyModule_Type) && PyType_IsSubtype(from, &PyModule_Type);
    if (!modules && (from->tp_flags | to->tp_flags) & Py_TPFLAGS_IMMUTABLETYPE) {
        PyErr_SetString(PyExc_TypeError, "__class__ assignment only supported for mutable types or ModuleType subclasses");
        return -1;
    }
    if (!type_compatible_for_assignment(from, to, "__class__")) return -1;
    if (UNLIKELY(Py_TYPE(self) != from)) goto again;         /* comparing the names of slots assigned it, too */
    /* Shapes belong to one class. */
    if (from->tp_flags & Py_TPFLAGS_MANAGED_DICT && instance_shape(self) && !instance_dict(self)) return -1;
    if (to->tp_flags & Py_TPFLAGS_HEAPTYPE) Py_INCREF(to);
    Py_SET_TYPE(self, to);
    if (UNLIKELY(to->tp_descr_get != from->tp_descr_get || to->tp_descr_set != from->tp_descr_set || PyType_Check(self)))
        type_forget_all_versions();
    if (from->tp_flags & Py_TPFLAGS_HEAPTYPE) Py_DECREF(from);
    return 0;
}

PyGetSetDef object_getset[] = { { "__class__", get_class, set_class, "the object's class", NULL }, { NULL } };

/* ---- methods --------------------------------------------------------------------------------------------------------------- */

BUILTIN_NOARGS(object, __init_subclass__, "($type, /)", "Called on a new subclass; does nothing unless overridden.") { Py_RETURN_NONE; }

BUILTIN_FAST(object, __subclasshook__, "($type, object, /)",
             "Asked by issubclass() of abstract classes: True, False, or NotImplemented to go on.")
{
    (void)self, (void)args, (void)nargs;
    Py_RETURN_NOTIMPLEMENTED;
}

BUILTIN_O(object, __format__, "($self, format_spec, /)", "Return str(self); the format must be empty.")
{
    if (!PyUnicode_Check(arg)) {
        PyErr_Format(PyExc_TypeError, "__format__() argument must be str, not %s", arg == Py_None ? "None" : Py_TYPE(arg)->tp_name);
        return NULL;
    }
    if (PyUnicode_GET_LENGTH(arg) > 0) {
        PyErr_Format(PyExc_TypeError, "unsupported format string passed to %.200s.__format__", Py_TYPE(self)->tp_name);
        return NULL;
    }
    return PyObject_Str(self);
}

BUILTIN_NOARGS(object, __sizeof__, "($self, /)", "Size of object in memory, in bytes.")
{
    PyTypeObject *type = Py_TYPE(self);
    Py_ssize_t size = 0;
    if (type->tp_itemsize > 0) {
        Py_ssize_t n = PyLong_Check(self) ? (Py_ssize_t)(((PyLongObject *)self)->long_value.lv_tag >> 3) : ((PyVarObject *)self)->ob_size;
        size = (n < 0 ? -n : n) * type->tp_itemsize;
    }
    size += type->tp_basicsize;
    if (type->tp_flags & Py_TPFLAGS_MANAGED_DICT) {
        size += (Py_ssize_t)instance_prefix(type);
        Shape *shape = instance_shape(self);
        if (shape) size += shape->capacity * (Py_ssize_t)sizeof(PyObject *);
    }
    return PyLong_FromSsize_t(size);
}

BUILTIN_NOARGS(object, __dir__, "($self, /)", "Default dir() implementation.")
{
    PyObject *dict, *cls = NULL, *result = NULL;
    if (PyObject_GetOptionalAttr(self, STR(__dict__), &dict) < 0) return NULL;
    if (dict && PyDict_Check(dict)) Py_SETREF(dict, PyDict_Copy(dict));
    else Py_XSETREF(dict, PyDict_New());
    if (!dict) return NULL;
    if (PyObject_GetOptionalAttr(self, STR(__class__), &cls) < 0) goto done;
    if (cls && class_merge_dict(dict, cls) < 0) goto done;
    result = PyDict_Keys(dict);
done:
    Py_XDECREF(cls);
    Py_DECREF(dict);
    return result;
}

BUILTIN_NOARGS(object, __getstate__, "($self, /)", "Helper for pickle.") { return object_getstate_default(self, false); }

PyObject *object_getstate_method(PyObject *self, PyObject *ignored) { return object___getstate__(self, ignored); }

BUILTIN_NOARGS(object, __reduce__, "($self, /)", "Helper for pickle.")
{
    return object_reduce(self, 0);
}

BUILTIN_O(object, __reduce_ex__, "($self, protocol, /)", "Helper for pickle.") { return object_reduce_ex(self, arg); }

PyMethodDef object_methods[] = {
    METHOD(object, __reduce_ex__), METHOD(object, __reduce__), { "__getstate__", object_getstate_method, METH_NOARGS, object___getstate___doc },
    METHOD_CLASS(object, __subclasshook__), METHOD_CLASS(object, __init_subclass__), METHOD(object, __format__),
    METHOD(object, __sizeof__), METHOD(object, __dir__), { NULL },
};

PyTypeObject PyBaseObject_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "object",
    .tp_basicsize = sizeof(PyObject),
    .tp_dealloc = object_dealloc,
    .tp_repr = object_repr,
    .tp_hash = object_hash,
    .tp_str = object_str,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_setattro = PyObject_GenericSetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_doc = "object()\n--\n\nThe base of all classes. Its own instances have no attributes.",
    .tp_richcompare = object_richcompare,
    .tp_methods = object_methods,
    .tp_getset = object_getset,
    .tp_init = object_init,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = object_new,
    .tp_free = PyObject_Free,
};
