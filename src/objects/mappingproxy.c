/* mappingproxy: a read-only view of a mapping; what __dict__ of a class is. */
#include "objects/type.h"

#include "capi/args.h"

typedef struct MappingProxy {
    PyObject_HEAD
    PyObject *mapping;
} MappingProxy;

#define MAPPING(o) (((MappingProxy *)(o))->mapping)

static Py_ssize_t proxy_length(PyObject *self) { return PyObject_Size(MAPPING(self)); }
static PyObject *proxy_subscript(PyObject *self, PyObject *key) { return PyObject_GetItem(MAPPING(self), key); }

static int proxy_contains(PyObject *self, PyObject *key)
{
    return PyDict_CheckExact(MAPPING(self)) ? PyDict_Contains(MAPPING(self), key) : PySequence_Contains(MAPPING(self), key);
}

static PyObject *proxy_or(PyObject *a, PyObject *b)
{
    if (Py_IS_TYPE(a, &PyDictProxy_Type)) a = MAPPING(a);
    if (Py_IS_TYPE(b, &PyDictProxy_Type)) b = MAPPING(b);
    return PyNumber_Or(a, b);
}

static PyObject *proxy_ior(PyObject *self, PyObject *Py_UNUSED(other))
{
    PyErr_Format(PyExc_TypeError, "'|=' is not supported by %s; use '|' instead", Py_TYPE(self)->tp_name);
    return NULL;
}

BUILTIN(mappingproxy, get, POSITIONAL, "($self, key, default=None, /)", "Return the value for key, or default when there is none.")
{
    PyObject *args[] = { MAPPING(self), arg[0], arg[1] ? arg[1] : Py_None };
    return PyObject_VectorcallMethod(STR(get), args, 3, NULL);
}

BUILTIN_NOARGS(mappingproxy, keys, "($self, /)", "The keys of the mapping, as its keys() gives them.") { return PyObject_CallMethodNoArgs(MAPPING(self), STR(keys)); }
BUILTIN_NOARGS(mappingproxy, values, "($self, /)", "The values of the mapping, as its values() gives them.") { return PyObject_CallMethodNoArgs(MAPPING(self), STR(values)); }
BUILTIN_NOARGS(mappingproxy, items, "($self, /)", "The pairs of the mapping, as its items() gives them.") { return PyObject_CallMethodNoArgs(MAPPING(self), STR(items)); }
BUILTIN_NOARGS(mappingproxy, copy, "($self, /)", "A shallow copy of the mapping.") { return PyObject_CallMethodNoArgs(MAPPING(self), STR(copy)); }
BUILTIN_NOARGS(mappingproxy, __reversed__, "($self, /)", "Iterate over the mapping backwards.") { return PyObject_CallMethodNoArgs(MAPPING(self), STR(__reversed__)); }
BUILTIN_O(mappingproxy, __class_getitem__, "($type, item, /)", "See PEP 585") { return Py_GenericAlias(self, arg); }

static PyMethodDef proxy_methods[] = {
    METHOD(mappingproxy, get), METHOD(mappingproxy, keys), METHOD(mappingproxy, values), METHOD(mappingproxy, items),
    METHOD(mappingproxy, copy), METHOD_CLASS(mappingproxy, __class_getitem__), METHOD(mappingproxy, __reversed__), { NULL },
};

static void proxy_dealloc(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    Py_DECREF(MAPPING(self));
    PyObject_GC_Del(self);
}

static int proxy_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(MAPPING(self));
    return 0;
}

static PyObject *proxy_iter(PyObject *self) { return PyObject_GetIter(MAPPING(self)); }
static Py_hash_t proxy_hash(PyObject *self) { return PyObject_Hash(MAPPING(self)); }
static PyObject *proxy_str(PyObject *self) { return PyObject_Str(MAPPING(self)); }
static PyObject *proxy_repr(PyObject *self) { return PyUnicode_FromFormat("mappingproxy(%R)", MAPPING(self)); }

static PyObject *proxy_richcompare(PyObject *self, PyObject *other, int op)
{
    return PyObject_RichCompare(MAPPING(self), other, op);
}

PyObject *PyDictProxy_New(PyObject *mapping)
{
    if (!PyMapping_Check(mapping) || PyList_Check(mapping) || PyTuple_Check(mapping)) {
        PyErr_Format(PyExc_TypeError, "mappingproxy() argument must be a mapping, not %s", Py_TYPE(mapping)->tp_name);
        return NULL;
    }
    MappingProxy *p = PyObject_GC_New(MappingProxy, &PyDictProxy_Type);
    if (!p) return NULL;
    p->mapping = Py_NewRef(mapping);
    PyObject_GC_Track(p);
    return OBJECT(p);
}

SIGNATURE(proxy_signature, "mappingproxy", KEYWORDS, "(mapping)");

static PyObject *proxy_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    PyObject *arg[1];
    (void)type;
    return args_bind_tuple(&proxy_signature, args, kwds, arg) < 0 ? NULL : PyDictProxy_New(arg[0]);
}

static PyNumberMethods proxy_as_number = { .nb_or = proxy_or, .nb_inplace_or = proxy_ior };
static PySequenceMethods proxy_as_sequence = { .sq_contains = proxy_contains };
static PyMappingMethods proxy_as_mapping = { .mp_length = proxy_length, .mp_subscript = proxy_subscript };

PyTypeObject PyDictProxy_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "mappingproxy",
    .tp_basicsize = sizeof(MappingProxy),
    .tp_dealloc = proxy_dealloc,
    .tp_repr = proxy_repr,
    .tp_as_number = &proxy_as_number,
    .tp_as_sequence = &proxy_as_sequence,
    .tp_as_mapping = &proxy_as_mapping,
    .tp_hash = proxy_hash,
    .tp_str = proxy_str,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_MAPPING,
    .tp_doc = "mappingproxy(mapping)\n--\n\nA view of a mapping that does not let itself be changed.",
    .tp_traverse = proxy_traverse,
    .tp_richcompare = proxy_richcompare,
    .tp_iter = proxy_iter,
    .tp_methods = proxy_methods,
    .tp_new = proxy_new,
};
