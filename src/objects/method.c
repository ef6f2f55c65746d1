/* Bound methods, and instancemethod (a C callable that binds like a function). */
#include "objects/type.h"

#include "capi/args.h"
#include "memory/alloc.h"

#define METHOD_OBJECT(o) ((PyMethodObject *)(o))

PyObject *PyMethod_Function(PyObject *o)
{
    if (PyMethod_Check(o)) return METHOD_OBJECT(o)->im_func;
    PyErr_BadInternalCall();
    return NULL;
}

PyObject *PyMethod_Self(PyObject *o)
{
    if (PyMethod_Check(o)) return METHOD_OBJECT(o)->im_self;
    PyErr_BadInternalCall();
    return NULL;
}

static PyObject *method_vectorcall(PyObject *method, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    PyObject *self = METHOD_OBJECT(method)->im_self, *func = METHOD_OBJECT(method)->im_func, *result;
    size_t n = (size_t)PyVectorcall_NARGS(nargsf);
    if (UNLIKELY(Py_IS_TYPE(func, &PyMethod_Type)) && stack_check() < 0) return NULL;
    if (nargsf & PY_VECTORCALL_ARGUMENTS_OFFSET) {            /* the slot before the arguments is ours for the call */
        PyObject **stack = (PyObject **)args - 1, *lent = stack[0];
        stack[0] = self;
        result = PyObject_Vectorcall(func, stack, n + 1, kwnames);
        stack[0] = lent;
        return result;
    }
    size_t total = n + (kwnames ? (size_t)PyTuple_GET_SIZE(kwnames) : 0);
    if (!total) return PyObject_Vectorcall(func, &self, 1, NULL);
    PyObject *small[8], **stack = small;
    if (total + 1 > ARRAY_LENGTH(small) && !(stack = PyMem_New(PyObject *, total + 1))) return PyErr_NoMemory();
    stack[0] = self;
    memcpy(stack + 1, args, total * sizeof *stack);
    result = PyObject_Vectorcall(func, stack, n + 1, kwnames);
    if (stack != small) PyMem_Free(stack);
    return result;
}

PyObject *PyMethod_New(PyObject *func, PyObject *self)
{
    if (UNLIKELY(!self)) {
        PyErr_BadInternalCall();
        return NULL;
    }
    Thread *t = thread_get();
    PyMethodObject *m = (PyMethodObject *)gc_alloc(t, &PyMethod_Type, sizeof *m, 0);
    if (UNLIKELY(!m)) return NULL;
    m->im_weakreflist = NULL;
    m->im_func = Py_NewRef(func);
    m->im_self = Py_NewRef(self);
    m->vectorcall = method_vectorcall;
    gc_track(t, OBJECT(m));
    return OBJECT(m);
}

static void method_dealloc(PyObject *self)
{
    PyMethodObject *m = METHOD_OBJECT(self);
    PyObject_GC_UnTrack(self);
    if (UNLIKELY(m->im_weakreflist)) PyObject_ClearWeakRefs(self);
    Py_DECREF(m->im_func);
    Py_XDECREF(m->im_self);
    PyObject_GC_Del(self);
}

static int method_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(METHOD_OBJECT(self)->im_func);
    Py_VISIT(METHOD_OBJECT(self)->im_self);
    return 0;
}

static PyObject *method_richcompare(PyObject *a, PyObject *b, int op)
{
    if ((op != Py_EQ && op != Py_NE) || !PyMethod_Check(a) || !PyMethod_Check(b)) Py_RETURN_NOTIMPLEMENTED;
    int equal = PyObject_RichCompareBool(METHOD_OBJECT(a)->im_func, METHOD_OBJECT(b)->im_func, Py_EQ);
    if (equal < 0) return NULL;
    if (equal) equal = METHOD_OBJECT(a)->im_self == METHOD_OBJECT(b)->im_self;
    return PyBool_FromLong(equal == (op == Py_EQ));
}

static Py_hash_t method_hash(PyObject *self)
{
    uintptr_t a = (uintptr_t)METHOD_OBJECT(self)->im_self;
    Py_hash_t x = (Py_hash_t)((a >> 4) | (a << (8 * sizeof a - 4))), y = PyObject_Hash(METHOD_OBJECT(self)->im_func);
    if (y == -1) return -1;
    x ^= y;
    return x == -1 ? -2 : x;
}

static PyObject *method_repr(PyObject *self)
{
    PyObject *func = METHOD_OBJECT(self)->im_func, *name, *result;
    if (PyObject_GetOptionalAttr(func, STR(__qualname__), &name) < 0) return NULL;
    if (!name && PyObject_GetOptionalAttr(func, STR(__name__), &name) < 0) return NULL;
    if (name && !PyUnicode_Check(name)) Py_CLEAR(name);
    result = PyUnicode_FromFormat("<bound method %V of %R>", name, "?", METHOD_OBJECT(self)->im_self);
    Py_XDECREF(name);
    return result;
}

/* Attributes of the method itself, then those of the function. */
static PyObject *method_getattro(PyObject *self, PyObject *name)
{
    PyTypeObject *type = Py_TYPE(self);
    if (!type_is_ready(type) && PyType_Ready(type) < 0) return NULL;
    PyObject *descr = type_lookup(type, name);
    if (!descr) return stack_check() < 0 ? NULL : PyObject_GetAttr(METHOD_OBJECT(self)->im_func, name);
    Py_INCREF(descr);
    descrgetfunc get = Py_TYPE(descr)->tp_descr_get;
    if (!get) return descr;
    PyObject *result = get(descr, self, OBJECT(type));
    Py_DECREF(descr);
    return result;
}

static PyObject *method_get_doc(PyObject *self, void *Py_UNUSED(c)) { return PyObject_GetAttr(METHOD_OBJECT(self)->im_func, STR(__doc__)); }

BUILTIN_NOARGS(method, __reduce__, "($self, /)", "Helper for pickle.")
{
    PyObject *name = PyObject_GetAttr(METHOD_OBJECT(self)->im_func, STR(__name__));
    if (!name) return NULL;
    PyObject *builtins = PyEval_GetBuiltins(), *getattr = builtins ? PyMapping_GetItemString(builtins, "getattr") : NULL;
    if (getattr) return Py_BuildValue("N(ON)", getattr, METHOD_OBJECT(self)->im_self, name);
    Py_DECREF(name);
    return NULL;
}

static PyObject *method_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    PyObject *func, *self;
    (void)type;
    if (kwds && PyDict_GET_SIZE(kwds)) {
        PyErr_SetString(PyExc_TypeError, "method() takes no keyword arguments");
        return NULL;
    }
    if (!PyArg_UnpackTuple(args, "method", 2, 2, &func, &self)) return NULL;
    if (!PyCallable_Check(func)) {
        PyErr_SetString(PyExc_TypeError, "first argument must be callable");
        return NULL;
    }
    if (self == Py_None) {
        PyErr_SetString(PyExc_TypeError, "instance must not be None");
        return NULL;
    }
    return PyMethod_New(func, self);
}

/* A method is bound already. */
static PyObject *method_descr_get(PyObject *self, PyObject *obj, PyObject *type)
{
    (void)obj, (void)type;
    return Py_NewRef(self);
}

static PyMethodDef method_methods[] = { METHOD(method, __reduce__), { NULL } };

static PyMemberDef method_members[] = {
    { "__func__", _Py_T_OBJECT, offsetof(PyMethodObject, im_func), Py_READONLY, "the function (or other callable) implementing a method" },
    { "__self__", _Py_T_OBJECT, offsetof(PyMethodObject, im_self), Py_READONLY, "the instance to which a method is bound" },
    { NULL },
};

static PyGetSetDef method_getset[] = { { "__doc__", method_get_doc, NULL, NULL, NULL }, { NULL } };

PyTypeObject PyMethod_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "method",
    .tp_basicsize = sizeof(PyMethodObject),
    .tp_dealloc = method_dealloc,
    .tp_vectorcall_offset = offsetof(PyMethodObject, vectorcall),
    .tp_repr = method_repr,
    .tp_hash = method_hash,
    .tp_call = PyVectorcall_Call,
    .tp_getattro = method_getattro,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL,
    .tp_doc = "method(function, instance, /)\n--\n\nA function bound to an instance.",
    .tp_traverse = method_traverse,
    .tp_richcompare = method_richcompare,
    .tp_weaklistoffset = offsetof(PyMethodObject, im_weakreflist),
    .tp_methods = method_methods,
    .tp_members = method_members,
    .tp_getset = method_getset,
    .tp_descr_get = method_descr_get,
    .tp_new = method_new,
};

/* ---- instancemethod ---------------------------------------------------------------------------------------------------- */

#define INSTANCE_METHOD(o) ((PyInstanceMethodObject *)(o))

PyObject *PyInstanceMethod_New(PyObject *func)
{
    PyInstanceMethodObject *m = PyObject_GC_New(PyInstanceMethodObject, &PyInstanceMethod_Type);
    if (!m) return NULL;
    m->func = Py_NewRef(func);
    PyObject_GC_Track(m);
    return OBJECT(m);
}

PyObject *PyInstanceMethod_Function(PyObject *o)
{
    if (PyInstanceMethod_Check(o)) return INSTANCE_METHOD(o)->func;
    PyErr_BadInternalCall();
    return NULL;
}

static void instancemethod_dealloc(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    Py_DECREF(INSTANCE_METHOD(self)->func);
    PyObject_GC_Del(self);
}

static int instancemethod_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(INSTANCE_METHOD(self)->func);
    return 0;
}

static PyObject *instancemethod_getattro(PyObject *self, PyObject *name)
{
    PyObject *descr = type_lookup(Py_TYPE(self), name);
    if (!descr) return PyObject_GetAttr(INSTANCE_METHOD(self)->func, name);
    Py_INCREF(descr);
    descrgetfunc get = Py_TYPE(descr)->tp_descr_get;
    if (!get) return descr;
    PyObject *result = get(descr, self, OBJECT(Py_TYPE(self)));
    Py_DECREF(descr);
    return result;
}

static PyObject *instancemethod_call(PyObject *self, PyObject *args, PyObject *kwds)
{
    return PyObject_Call(INSTANCE_METHOD(self)->func, args, kwds);
}

static PyObject *instancemethod_descr_get(PyObject *self, PyObject *obj, PyObject *type)
{
    (void)type;
    PyObject *func = INSTANCE_METHOD(self)->func;
    return obj ? PyMethod_New(func, obj) : Py_NewRef(func);
}

static PyObject *instancemethod_richcompare(PyObject *a, PyObject *b, int op)
{
    if ((op != Py_EQ && op != Py_NE) || !PyInstanceMethod_Check(a) || !PyInstanceMethod_Check(b)) Py_RETURN_NOTIMPLEMENTED;
    int equal = PyObject_RichCompareBool(INSTANCE_METHOD(a)->func, INSTANCE_METHOD(b)->func, Py_EQ);
    return equal < 0 ? NULL : PyBool_FromLong(equal == (op == Py_EQ));
}

static PyObject *instancemethod_repr(PyObject *self)
{
    PyObject *func = INSTANCE_METHOD(self)->func, *name;
    if (PyObject_GetOptionalAttr(func, STR(__name__), &name) < 0) return NULL;
    if (name && !PyUnicode_Check(name)) Py_CLEAR(name);
    PyObject *result = PyUnicode_FromFormat("<instancemethod %V at %p>", name, "?", self);
    Py_XDECREF(name);
    return result;
}

static PyObject *instancemethod_get_doc(PyObject *self, void *Py_UNUSED(c))
{
    return PyObject_GetAttr(INSTANCE_METHOD(self)->func, STR(__doc__));
}

static PyObject *instancemethod_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    PyObject *func;
    (void)type;
    if (kwds && PyDict_GET_SIZE(kwds)) {
        PyErr_SetString(PyExc_TypeError, "instancemethod() takes no keyword arguments");
        return NULL;
    }
    if (!PyArg_UnpackTuple(args, "instancemethod", 1, 1, &func)) return NULL;
    if (PyCallable_Check(func)) return PyInstanceMethod_New(func);
    PyErr_SetString(PyExc_TypeError, "first argument must be callable");
    return NULL;
}

static PyMemberDef instancemethod_members[] = {
    { "__func__", _Py_T_OBJECT, offsetof(PyInstanceMethodObject, func), Py_READONLY, "the function (or other callable) implementing a method" },
    { NULL },
};

static PyGetSetDef instancemethod_getset[] = { { "__doc__", instancemethod_get_doc, NULL, NULL, NULL }, { NULL } };

PyTypeObject PyInstanceMethod_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "instancemethod",
    .tp_basicsize = sizeof(PyInstanceMethodObject),
    .tp_dealloc = instancemethod_dealloc,
    .tp_repr = instancemethod_repr,
    .tp_call = instancemethod_call,
    .tp_getattro = instancemethod_getattro,
    .tp_setattro = PyObject_GenericSetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_doc = "instancemethod(function)\n\nBind a function to a class.",
    .tp_traverse = instancemethod_traverse,
    .tp_richcompare = instancemethod_richcompare,
    .tp_members = instancemethod_members,
    .tp_getset = instancemethod_getset,
    .tp_descr_get = instancemethod_descr_get,
    .tp_new = instancemethod_new,
};
