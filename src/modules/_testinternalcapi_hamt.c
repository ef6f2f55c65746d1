/* _testinternalcapi.hamt(): the maps of objects/hamt.c as an immutable mapping type, for the tests. */
#include "capi/args.h"

#include "objects/hamt.h"
#include "objects/type.h"
#include "runtime/state.h"

typedef struct Map { PyObject_HEAD Hamt map; PyObject *weakrefs; } Map;

static PyTypeObject map_type;

static Map *map_make(const Hamt *like)
{
    Map *m = PyObject_GC_New(Map, &map_type);
    if (!m) return NULL;
    m->map = (Hamt){ 0 };
    m->weakrefs = NULL;
    if (like) hamt_copy(&m->map, like);
    PyObject_GC_Track(m);
    return m;
}

/* self holds the root while keys are compared. */
BUILTIN(map, set, POSITIONAL, "($self, key, value, /)", "")
{
    PyObject *old;
    Map *m = map_make(&((Map *)self)->map);
    if (!m) return NULL;
    int status = hamt_set(&m->map, arg[0], arg[1], &old);
    Py_XDECREF(old);
    if (status < 0) Py_CLEAR(m);
    else if (m->map.root == ((Map *)self)->map.root) Py_SETREF(m, (Map *)Py_NewRef(self));   /* it had that value */
    return (PyObject *)m;
}

BUILTIN_O(map, delete, "($self, object, /)", "")
{
    PyObject *old;
    Map *m = map_make(&((Map *)self)->map);
    int status = m ? hamt_remove(&m->map, arg, &old) : -1;
    if (status > 0) Py_XDECREF(old);
    else Py_CLEAR(m);
    return status == 0 ? Py_NewRef(self) : (PyObject *)m;
}

BUILTIN(map, get, POSITIONAL, "($self, key, default=None, /)", "")
{
    PyObject *value;
    if (hamt_find(&((Map *)self)->map, arg[0], &value) < 0) return NULL;
    return value ? value : Py_NewRef(arg[1] ? arg[1] : Py_None);
}

BUILTIN_NOARGS(map, keys, "($self, /)", "") { return hamt_iterator(&((Map *)self)->map, HAMT_KEYS); }
BUILTIN_NOARGS(map, values, "($self, /)", "") { return hamt_iterator(&((Map *)self)->map, HAMT_VALUES); }
BUILTIN_NOARGS(map, items, "($self, /)", "") { return hamt_iterator(&((Map *)self)->map, HAMT_ITEMS); }

static PyObject *map_iter(PyObject *self) { return hamt_iterator(&((Map *)self)->map, HAMT_KEYS); }
static Py_ssize_t map_length(PyObject *self) { return ((Map *)self)->map.count; }

static PyObject *map_subscript(PyObject *self, PyObject *key)
{
    PyObject *value;
    int found = hamt_find(&((Map *)self)->map, key, &value);
    if (found == 0) PyErr_SetObject(PyExc_KeyError, key);
    return value;
}

static int map_contains(PyObject *self, PyObject *key)
{
    PyObject *value;
    int found = hamt_find(&((Map *)self)->map, key, &value);
    Py_XDECREF(value);
    return found;
}

static PyObject *map_richcompare(PyObject *a, PyObject *b, int op)
{
    if (!Py_IS_TYPE(a, &map_type) || !Py_IS_TYPE(b, &map_type) || (op != Py_EQ && op != Py_NE)) Py_RETURN_NOTIMPLEMENTED;
    int equal = hamt_equal(&((Map *)a)->map, &((Map *)b)->map);
    return equal < 0 ? NULL : PyBool_FromLong(equal == (op == Py_EQ));
}

static int map_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(((Map *)self)->map.root);
    return 0;
}

static int map_clear(PyObject *self)
{
    ((Map *)self)->map.count = 0;
    Py_CLEAR(((Map *)self)->map.root);
    return 0;
}

static void map_dealloc(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    if (((Map *)self)->weakrefs) PyObject_ClearWeakRefs(self);
    map_clear(self);
    PyObject_GC_Del(self);
}

static PyObject *map_new(PyTypeObject *Py_UNUSED(type), PyObject *Py_UNUSED(args), PyObject *Py_UNUSED(kwargs))
{
    return (PyObject *)map_make(NULL);
}

static PyMethodDef map_methods[] = {
    METHOD(map, set), METHOD(map, get), METHOD(map, delete), METHOD(map, keys), METHOD(map, values), METHOD(map, items), { 0 },
};
static PySequenceMethods map_sequence = { .sq_contains = map_contains };
static PyMappingMethods map_mapping = { .mp_length = map_length, .mp_subscript = map_subscript };

static PyTypeObject map_type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "hamt",
    .tp_basicsize = sizeof(Map),
    .tp_dealloc = map_dealloc,
    .tp_as_sequence = &map_sequence,
    .tp_as_mapping = &map_mapping,
    .tp_hash = PyObject_HashNotImplemented,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = map_traverse,
    .tp_clear = map_clear,
    .tp_richcompare = map_richcompare,
    .tp_weaklistoffset = offsetof(Map, weakrefs),
    .tp_iter = map_iter,
    .tp_methods = map_methods,
    .tp_new = map_new,
};

BUILTIN_NOARGS(internal, hamt, "($module, /)", "An empty immutable mapping of the kind that contexts use.") { return (PyObject *)map_make(NULL); }

static PyMethodDef hamt_functions[] = { METHOD(internal, hamt), { 0 } };

int testinternal_hamt_init(PyObject *module)
{
    if (hamt_types_init() < 0 || type_ready_builtin(&map_type) < 0) return -1;
    return PyModule_AddFunctions(module, hamt_functions);
}
