/* classmethod and staticmethod. */
#include "objects/function.h"

#include "memory/alloc.h"

#define WRAPPED(o) ((WrappedCallable *)(o))

/* Takes over __module__, __name__, __qualname__, __doc__, __annotations__ of what is wrapped, where it has them. */
static int copy_attributes(PyObject *self, PyObject *callable)
{
    PyObject *const names[] = { STR(__module__), STR(__name__), STR(__qualname__), STR(__doc__), STR(__annotations__) };
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        PyObject *value;
        int found = PyObject_GetOptionalAttr(callable, names[i], &value);
        if (found < 0) return -1;
        if (!found) continue;
        int status = PyObject_SetAttr(self, names[i], value);
        Py_DECREF(value);
        if (status < 0) return -1;
    }
    return 0;
}

static int wrap_init(PyObject *self, PyObject *args, PyObject *kwds, const char *name)
{
    PyObject *callable;
    if (kwds && PyDict_GET_SIZE(kwds)) {
        PyErr_Format(PyExc_TypeError, "%s() takes no keyword arguments", name);
        return -1;
    }
    if (!PyArg_UnpackTuple(args, name, 1, 1, &callable)) return -1;
    Py_XSETREF(WRAPPED(self)->callable, Py_NewRef(callable));
    return copy_attributes(self, callable);
}

static int classmethod_init(PyObject *self, PyObject *args, PyObject *kwds) { return wrap_init(self, args, kwds, "classmethod"); }
static int staticmethod_init(PyObject *self, PyObject *args, PyObject *kwds) { return wrap_init(self, args, kwds, "staticmethod"); }

static PyObject *wrap_new(PyTypeObject *type, PyObject *callable)
{
    PyObject *self = PyType_GenericAlloc(type, 0);
    if (self) WRAPPED(self)->callable = Py_NewRef(callable);
    return self;
}

PyObject *PyClassMethod_New(PyObject *callable)
{
    PyObject *self = wrap_new(&PyClassMethod_Type, callable);
    if (self && copy_attributes(self, callable) < 0) Py_CLEAR(self);
    return self;
}

PyObject *PyStaticMethod_New(PyObject *callable)
{
    PyObject *self = wrap_new(&PyStaticMethod_Type, callable);
    if (self && !PyCFunction_Check(callable) && copy_attributes(self, callable) < 0) Py_CLEAR(self);
    return self;
}

static void wrapped_dealloc(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    Py_XDECREF(WRAPPED(self)->callable);
    Py_XDECREF(WRAPPED(self)->dict);
    Py_TYPE(self)->tp_free(self);
}

static int wrapped_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(WRAPPED(self)->dict);
    Py_VISIT(WRAPPED(self)->callable);
    return 0;
}

static int wrapped_clear(PyObject *self)
{
    Py_CLEAR(WRAPPED(self)->callable);
    Py_CLEAR(WRAPPED(self)->dict);
    return 0;
}

static PyObject *uninitialized(const char *name)
{
    PyErr_Format(PyExc_RuntimeError, "uninitialized %s object", name);
    return NULL;
}

static PyObject *classmethod_descr_get(PyObject *self, PyObject *obj, PyObject *type)
{
    if (!WRAPPED(self)->callable) return uninitialized("classmethod");
    if (!type) type = OBJECT(Py_TYPE(obj));
    return PyMethod_New(WRAPPED(self)->callable, type);
}

static PyObject *staticmethod_descr_get(PyObject *self, PyObject *obj, PyObject *type)
{
    (void)obj, (void)type;
    return WRAPPED(self)->callable ? Py_NewRef(WRAPPED(self)->callable) : uninitialized("staticmethod");
}

static PyObject *staticmethod_call(PyObject *self, PyObject *args, PyObject *kwds)
{
    return WRAPPED(self)->callable ? PyObject_Call(WRAPPED(self)->callable, args, kwds) : uninitialized("staticmethod");
}

static PyObject *get_isabstractmethod(PyObject *self, void *Py_UNUSED(c))
{
    PyObject *value;
    if (!WRAPPED(self)->callable) Py_RETURN_FALSE;
    if (stack_check() < 0) return NULL;
    int found = PyObject_GetOptionalAttr(WRAPPED(self)->callable, STR(__isabstractmethod__), &value);
    if (found < 0) return NULL;
    if (!found) Py_RETURN_FALSE;
    int truth = PyObject_IsTrue(value);
    Py_DECREF(value);
    return truth < 0 ? NULL : PyBool_FromLong(truth);
}

static PyObject *classmethod_repr(PyObject *self) { return PyUnicode_FromFormat("<classmethod(%R)>", WRAPPED(self)->callable); }
static PyObject *staticmethod_repr(PyObject *self) { return PyUnicode_FromFormat("<staticmethod(%R)>", WRAPPED(self)->callable); }

static PyMemberDef wrapped_members[] = {
    { "__func__", _Py_T_OBJECT, offsetof(WrappedCallable, callable), Py_READONLY, NULL },
    { "__wrapped__", _Py_T_OBJECT, offsetof(WrappedCallable, callable), Py_READONLY, NULL },
    { NULL },
};

static PyGetSetDef wrapped_getset[] = {
    { "__isabstractmethod__", get_isabstractmethod, NULL, NULL, NULL },
    { "__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, NULL, NULL },
    { NULL },
};

PyTypeObject PyClassMethod_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "classmethod",
    .tp_basicsize = sizeof(WrappedCallable),
    .tp_dealloc = wrapped_dealloc,
    .tp_repr = classmethod_repr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .tp_doc = "classmethod(function, /)\n--\n\nMake a method that gets the class as its first argument.\n\n"
              "It can be called on the class, C.f(), or on an instance, C().f(); the instance is\n"
              "ignored except for its class.",
    .tp_traverse = wrapped_traverse,
    .tp_clear = wrapped_clear,
    .tp_members = wrapped_members,
    .tp_getset = wrapped_getset,
    .tp_descr_get = classmethod_descr_get,
    .tp_dictoffset = offsetof(WrappedCallable, dict),
    .tp_init = classmethod_init,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = PyType_GenericNew,
    .tp_free = PyObject_GC_Del,
};

PyTypeObject PyStaticMethod_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "staticmethod",
    .tp_basicsize = sizeof(WrappedCallable),
    .tp_dealloc = wrapped_dealloc,
    .tp_repr = staticmethod_repr,
    .tp_call = staticmethod_call,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .tp_doc = "staticmethod(function, /)\n--\n\nMake a method that gets no implicit first argument.\n\n"
              "It can be called on the class or on an instance.",
    .tp_traverse = wrapped_traverse,
    .tp_clear = wrapped_clear,
    .tp_members = wrapped_members,
    .tp_getset = wrapped_getset,
    .tp_descr_get = staticmethod_descr_get,
    .tp_dictoffset = offsetof(WrappedCallable, dict),
    .tp_init = staticmethod_init,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = PyType_GenericNew,
    .tp_free = PyObject_GC_Del,
};
