/* types.SimpleNamespace: attributes in a dict, a repr that shows them. */
#include "objects/namespace.h"

#include "objects/containers_private.h"

typedef struct Namespace {
    PyObject_HEAD
    PyObject *dict;
} Namespace;

#define NAMESPACE(o) ((Namespace *)(o))

static PyObject *namespace_new(PyTypeObject *type, PyObject *Py_UNUSED(args), PyObject *Py_UNUSED(kwargs))
{
    PyObject *self = type->tp_alloc(type, 0);
    if (self && !(NAMESPACE(self)->dict = PyDict_New())) Py_CLEAR(self);
    return self;
}

static int namespace_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    const char *dot = strrchr(Py_TYPE(self)->tp_name, '.');
    PyObject *arg = NULL;
    if (!PyArg_UnpackTuple(args, dot ? dot + 1 : Py_TYPE(self)->tp_name, 0, 1, &arg)) return -1;
    if (arg) {
        PyObject *dict = PyDict_CheckExact(arg) ? Py_NewRef(arg) : PyObject_CallOneArg(OBJECT(&PyDict_Type), arg);
        if (!dict) return -1;
        int status = PyArg_ValidateKeywordArguments(dict) ? PyDict_Update(NAMESPACE(self)->dict, dict) : -1;
        Py_DECREF(dict);
        if (status < 0) return -1;
    }
    if (!kwargs) return 0;
    if (!PyArg_ValidateKeywordArguments(kwargs)) return -1;
    return PyDict_Update(NAMESPACE(self)->dict, kwargs);
}

static void namespace_dealloc(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    Py_CLEAR(NAMESPACE(self)->dict);
    Py_TYPE(self)->tp_free(self);
}

static int namespace_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(NAMESPACE(self)->dict);
    return 0;
}

static int namespace_clear(PyObject *self)
{
    Py_CLEAR(NAMESPACE(self)->dict);
    return 0;
}

static PyObject *pairs_text(PyObject *dict)
{
    PyObject *pairs = PyList_New(0), *keys = pairs ? PyDict_Keys(dict) : NULL, *separator, *text = NULL;
    for (Py_ssize_t i = 0; keys && i < PyList_GET_SIZE(keys); i++) {
        PyObject *key = PyList_GET_ITEM(keys, i), *value, *pair = NULL;
        if (!PyUnicode_Check(key) || PyUnicode_GET_LENGTH(key) == 0) continue;
        int found = PyDict_GetItemRef(dict, key, &value);
        if (found == 0) continue;
        if (found > 0) {
            pair = PyUnicode_FromFormat("%S=%R", key, value);
            Py_DECREF(value);
        }
        int status = pair ? PyList_Append(pairs, pair) : -1;
        Py_XDECREF(pair);
        if (status < 0) goto done;
    }
    if (!keys || !(separator = PyUnicode_FromString(", "))) goto done;
    text = PyUnicode_Join(separator, pairs);
    Py_DECREF(separator);
done:
    Py_XDECREF(keys);
    Py_XDECREF(pairs);
    return text;
}

static PyObject *namespace_repr(PyObject *self)
{
    const char *name = Py_IS_TYPE(self, &_PyNamespace_Type) ? "namespace" : Py_TYPE(self)->tp_name;
    int entered = Py_ReprEnter(self);
    if (entered) return entered > 0 ? PyUnicode_FromFormat("%s(...)", name) : NULL;
    PyObject *dict = Py_NewRef(NAMESPACE(self)->dict), *pairs = pairs_text(dict), *result = NULL;
    if (pairs) result = PyUnicode_FromFormat("%s(%S)", name, pairs);
    Py_XDECREF(pairs);
    Py_DECREF(dict);
    Py_ReprLeave(self);
    return result;
}

static PyObject *namespace_richcompare(PyObject *a, PyObject *b, int op)
{
    if (!PyObject_TypeCheck(a, &_PyNamespace_Type) || !PyObject_TypeCheck(b, &_PyNamespace_Type)) Py_RETURN_NOTIMPLEMENTED;
    return PyObject_RichCompare(NAMESPACE(a)->dict, NAMESPACE(b)->dict, op);
}

BUILTIN_NOARGS(namespace, __reduce__, "($self, /)", "Return state information for pickling")
{
    return PyTuple_Pack(3, Py_TYPE(self), EMPTY_TUPLE, NAMESPACE(self)->dict);
}

static PyObject *namespace_replace(PyObject *self, PyObject *args, PyObject *kwargs)
{
    if (PyTuple_GET_SIZE(args)) {
        PyErr_SetString(PyExc_TypeError, "__replace__() takes no positional arguments");
        return NULL;
    }
    PyObject *result = PyObject_CallNoArgs(OBJECT(Py_TYPE(self)));
    if (!result) return NULL;
    if (!PyObject_TypeCheck(result, &_PyNamespace_Type)) {
        PyErr_Format(PyExc_TypeError, "expect %N type, but %T() returned '%T' object", &_PyNamespace_Type, self, result);
        goto fail;
    }
    if (PyDict_Update(NAMESPACE(result)->dict, NAMESPACE(self)->dict) < 0) goto fail;
    if (kwargs && PyDict_Update(NAMESPACE(result)->dict, kwargs) < 0) goto fail;
    return result;
fail:
    Py_DECREF(result);
    return NULL;
}

static PyMethodDef namespace_methods[] = {
    METHOD(namespace, __reduce__),
    { "__replace__", (PyCFunction)(void (*)(void))namespace_replace, METH_VARARGS | METH_KEYWORDS,
      "__replace__($self, /, **changes)\n--\n\nReturn a copy of the namespace object with new values for the specified attributes." },
    { 0 },
};

static PyMemberDef namespace_members[] = { { "__dict__", _Py_T_OBJECT, offsetof(Namespace, dict), Py_READONLY, NULL }, { 0 } };

PyTypeObject _PyNamespace_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "types.SimpleNamespace",
    .tp_basicsize = sizeof(Namespace),
    .tp_dealloc = namespace_dealloc,
    .tp_repr = namespace_repr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .tp_doc = "SimpleNamespace(mapping_or_iterable=(), /, **kwargs)\n--\n\nA simple attribute-based namespace.",
    .tp_traverse = namespace_traverse,
    .tp_clear = namespace_clear,
    .tp_richcompare = namespace_richcompare,
    .tp_methods = namespace_methods,
    .tp_members = namespace_members,
    .tp_dictoffset = offsetof(Namespace, dict),
    .tp_init = namespace_init,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = namespace_new,
    .tp_free = PyObject_GC_Del,
};

PyObject *_PyNamespace_New(PyObject *dict)
{
    PyObject *self = namespace_new(&_PyNamespace_Type, NULL, NULL);
    if (self && dict && PyDict_Update(NAMESPACE(self)->dict, dict) < 0) Py_CLEAR(self);
    return self;
}
