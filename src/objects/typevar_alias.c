/* TypeAliasType (the `type` statement), Generic, NoDefault. */
#include "objects/genericalias.h"

#include "capi/args.h"
#include "eval/eval.h"

/* ---- TypeAliasType ---------------------------------------------------------------------------------------------------------------- */

typedef struct TypeAlias {
    PyObject_HEAD
    PyObject *name, *type_params, *compute_value, *value, *module;   /* type_params: NULL when there are none */
} TypeAlias;

#define ALIAS(o) ((TypeAlias *)(o))

static PyObject *alias_new(PyObject *name, PyObject *type_params, PyObject *compute_value, PyObject *value, PyObject *module)
{
    TypeAlias *a = PyObject_GC_New(TypeAlias, &typealias_type);
    if (!a) return NULL;
    if (type_params && (type_params == Py_None || PyTuple_GET_SIZE(type_params) == 0)) type_params = NULL;
    a->name = Py_NewRef(name);
    a->type_params = Py_XNewRef(type_params);
    a->compute_value = Py_XNewRef(compute_value);
    a->value = Py_XNewRef(value);
    a->module = Py_XNewRef(module);
    PyObject_GC_Track(a);
    return OBJECT(a);
}

PyObject *typing_make_typealias(PyObject *parts)
{
    PyObject *const *part = ((PyTupleObject *)parts)->ob_item;
    return alias_new(part[0], part[1], part[2], NULL, NULL);
}

SIGNATURE(typealias_signature, "typealias", KEYWORDS, "(name, value, *, type_params=())");

static PyObject *typealias_new(PyTypeObject *Py_UNUSED(type), PyObject *args, PyObject *kwds)
{
    PyObject *arg[3];
    if (args_bind_tuple(&typealias_signature, args, kwds, arg) < 0) return NULL;
    if (!PyUnicode_Check(arg[0]))
        return PyErr_Format(PyExc_TypeError, "typealias() argument 'name' must be str, not %.50s",
                            arg[0] == Py_None ? "None" : Py_TYPE(arg[0])->tp_name);
    if (arg[2] && !PyTuple_Check(arg[2])) return PyErr_Format(PyExc_TypeError, "type_params must be a tuple");
    Frame *f = frame_current(&thread_get()->ts);
    PyObject *module = f && f->f_funcobj && PyFunction_Check(f->f_funcobj) ? PyFunction_GetModule(f->f_funcobj) : NULL;
    return alias_new(arg[0], arg[2], NULL, arg[1], module ? module : Py_None);
}

static PyObject *typealias_repr(PyObject *self) { return Py_NewRef(ALIAS(self)->name); }

static PyObject *get_value(PyObject *self, void *Py_UNUSED(c))
{
    TypeAlias *a = ALIAS(self);
    if (a->value) return Py_NewRef(a->value);
    PyObject *value = PyObject_CallNoArgs(a->compute_value);
    if (value) Py_XSETREF(a->value, Py_NewRef(value));
    return value;
}

static PyObject *get_type_params(PyObject *self, void *Py_UNUSED(c)) { return Py_NewRef(ALIAS(self)->type_params ? ALIAS(self)->type_params : EMPTY_TUPLE); }

/* The type parameters with TypeVarTuples unpacked, as generic aliases have them. */
static PyObject *get_parameters(PyObject *self, void *Py_UNUSED(c))
{
    PyObject *params = ALIAS(self)->type_params, *result;
    if (!params) return PyTuple_New(0);
    Py_ssize_t n = PyTuple_GET_SIZE(params);
    if (!(result = PyTuple_New(n))) return NULL;
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *p = PyTuple_GET_ITEM(params, i);
        if (typing_is(p, TYPING_TYPEVARTUPLE)) {
            PyObject *unpack = typing_attribute("Unpack");
            p = unpack ? PyObject_GetItem(unpack, p) : NULL;
            Py_XDECREF(unpack);
            if (!p) {
                Py_DECREF(result);
                return NULL;
            }
        }
        else Py_INCREF(p);
        PyTuple_SET_ITEM(result, i, p);
    }
    return result;
}

static PyObject *get_module(PyObject *self, void *Py_UNUSED(c))
{
    TypeAlias *a = ALIAS(self);
    if (a->module) return Py_NewRef(a->module);
    PyObject *module = a->compute_value && PyFunction_Check(a->compute_value) ? PyFunction_GetModule(a->compute_value) : NULL;
    return Py_NewRef(module ? module : Py_None);
}

static PyObject *typealias_subscript(PyObject *self, PyObject *args)
{
    if (!ALIAS(self)->type_params) return PyErr_Format(PyExc_TypeError, "Only generic type aliases are subscriptable");
    return Py_GenericAlias(self, args);
}

BUILTIN_NOARGS(typealias, __reduce__, "($self, /)", "Helper for pickle.") { return Py_NewRef(ALIAS(self)->name); }

static void typealias_dealloc(PyObject *self)
{
    TypeAlias *a = ALIAS(self);
    PyObject_GC_UnTrack(self);
    Py_DECREF(a->name);
    Py_XDECREF(a->type_params);
    Py_XDECREF(a->compute_value);
    Py_XDECREF(a->value);
    Py_XDECREF(a->module);
    PyObject_GC_Del(self);
}

static int typealias_traverse(PyObject *self, visitproc visit, void *arg)
{
    TypeAlias *a = ALIAS(self);
    Py_VISIT(a->type_params);
    Py_VISIT(a->compute_value);
    Py_VISIT(a->value);
    Py_VISIT(a->module);
    return 0;
}

static int typealias_clear(PyObject *self)
{
    TypeAlias *a = ALIAS(self);
    Py_CLEAR(a->type_params);
    Py_CLEAR(a->value);
    Py_CLEAR(a->module);
    if (a->compute_value) Py_SETREF(a->compute_value, Py_NewRef(Py_None));
    return 0;
}

static PyMemberDef typealias_members[] = { { "__name__", _Py_T_OBJECT, offsetof(TypeAlias, name), Py_READONLY, NULL }, { NULL } };

static PyGetSetDef typealias_getset[] = {
    { "__parameters__", get_parameters, NULL, NULL, NULL },
    { "__type_params__", get_type_params, NULL, NULL, NULL },
    { "__value__", get_value, NULL, NULL, NULL },
    { "__module__", get_module, NULL, NULL, NULL },
    { NULL },
};

static PyMethodDef typealias_methods[] = { METHOD(typealias, __reduce__), { NULL } };
static PyNumberMethods typealias_as_number = { .nb_or = union_or };
static PyMappingMethods typealias_as_mapping = { .mp_subscript = typealias_subscript };

PyTypeObject typealias_type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "typing.TypeAliasType",
    .tp_basicsize = sizeof(TypeAlias),
    .tp_dealloc = typealias_dealloc,
    .tp_repr = typealias_repr,
    .tp_as_number = &typealias_as_number,
    .tp_as_mapping = &typealias_as_mapping,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_HAVE_GC,
    .tp_doc = "A name for a type, made by the type statement:\n\n    type Pair[T] = tuple[T, T]\n\nThe value is computed when __value__ is first asked for.",
    .tp_traverse = typealias_traverse,
    .tp_clear = typealias_clear,
    .tp_methods = typealias_methods,
    .tp_members = typealias_members,
    .tp_getset = typealias_getset,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = typealias_new,
    .tp_free = PyObject_GC_Del,
};

/* ---- Generic -------------------------------------------------------------------------------------------------------------------------- */

/* typing.<name>(cls, *args, **kwds) */
static PyObject *call_with_class(const char *name, PyObject *cls, PyObject *args, PyObject *kwds)
{
    PyObject *function = typing_attribute(name), *result = NULL;
    if (!function) return NULL;
    Py_ssize_t n = PyTuple_GET_SIZE(args);
    PyObject *all = PyTuple_New(n + 1);
    if (all) {
        PyTuple_SET_ITEM(all, 0, Py_NewRef(cls));
        for (Py_ssize_t i = 0; i < n; i++) PyTuple_SET_ITEM(all, i + 1, Py_NewRef(PyTuple_GET_ITEM(args, i)));
        result = PyObject_Call(function, all, kwds);
        Py_DECREF(all);
    }
    Py_DECREF(function);
    return result;
}

static PyObject *generic_init_subclass(PyObject *cls, PyObject *args, PyObject *kwds)
{
    return call_with_class("_generic_init_subclass", cls, args, kwds);
}

static PyObject *generic_class_getitem(PyObject *cls, PyObject *args, PyObject *kwds)
{
    return call_with_class("_generic_class_getitem", cls, args, kwds);
}

PyObject *typing_subscript_generic(PyObject *params)
{
    PyTypeObject *generic = typing_class(TYPING_GENERIC);
    if (!generic) return NULL;
    /* TypeVarTuples stand unpacked in Generic[...] */
    PyObject *args = PyTuple_New(PyTuple_GET_SIZE(params)), *result = NULL;
    for (Py_ssize_t i = 0; args && i < PyTuple_GET_SIZE(params); i++) {
        PyObject *p = PyTuple_GET_ITEM(params, i);
        if (typing_is(p, TYPING_TYPEVARTUPLE)) {
            PyObject *unpack = typing_attribute("Unpack");
            p = unpack ? PyObject_GetItem(unpack, p) : NULL;
            Py_XDECREF(unpack);
        }
        else Py_INCREF(p);
        if (p) PyTuple_SET_ITEM(args, i, p);
        else Py_CLEAR(args);
    }
    if (args) result = typing_call("_GenericAlias", OBJECT(generic), args, NULL);
    Py_XDECREF(args);
    return result;
}

static int generic_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    return 0;
}

static void generic_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMethodDef generic_methods[] = {
    { "__class_getitem__", (PyCFunction)(void (*)(void))generic_class_getitem, METH_VARARGS | METH_KEYWORDS | METH_CLASS, "The class with its type parameters replaced." },
    { "__init_subclass__", (PyCFunction)(void (*)(void))generic_init_subclass, METH_VARARGS | METH_KEYWORDS | METH_CLASS, "Works out the type parameters of a new generic class." },
    { NULL },
};

static PyType_Slot generic_slots[] = {
    { Py_tp_doc, (void *)"The base of generic classes: class Box[T] has it, and class Box(Generic[T])." },
    { Py_tp_methods, generic_methods }, { Py_tp_alloc, PyType_GenericAlloc }, { Py_tp_free, PyObject_GC_Del },
    { Py_tp_traverse, generic_traverse }, { Py_tp_dealloc, generic_dealloc }, { 0, NULL },
};

PyType_Spec generic_spec = {
    "typing.Generic", sizeof(PyObject), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC, generic_slots,
};

/* ---- NoDefault -------------------------------------------------------------------------------------------------------------------------- */

static PyObject *nodefault_new(PyTypeObject *Py_UNUSED(type), PyObject *args, PyObject *kwds)
{
    if (PyTuple_GET_SIZE(args) || (kwds && PyDict_GET_SIZE(kwds))) return PyErr_Format(PyExc_TypeError, "NoDefaultType takes no arguments");
    return NO_DEFAULT;                                          /* immortal */
}

static PyObject *nodefault_repr(PyObject *Py_UNUSED(self)) { return PyUnicode_FromString("typing.NoDefault"); }
static void nodefault_dealloc(PyObject *self) { Py_SET_REFCNT(self, _Py_IMMORTAL_REFCNT); }

BUILTIN_NOARGS(nodefault, __reduce__, "($self, /)", "Helper for pickle.") { (void)self; return PyUnicode_FromString("NoDefault"); }

static PyMethodDef nodefault_methods[] = { METHOD(nodefault, __reduce__), { NULL } };

PyTypeObject nodefault_type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "NoDefaultType",
    .tp_dealloc = nodefault_dealloc,
    .tp_repr = nodefault_repr,
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_doc = "NoDefaultType()\n--\n\nThe type of the NoDefault singleton.",
    .tp_methods = nodefault_methods,
    .tp_new = nodefault_new,
};

PyObject nodefault_object = { .ob_refcnt = _Py_IMMORTAL_REFCNT, .ob_type = &nodefault_type };
