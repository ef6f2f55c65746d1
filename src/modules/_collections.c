/* _collections: defaultdict, the field descriptor of namedtuple, counting, and the module. deque is in _collections_deque.c, OrderedDict
 * a built-in type. */
#include "modules/_collections.h"
#include "objects/dict.h"

#include <structmember.h>

/* ---- defaultdict --------------------------------------------------------------------------------------------------------------- */

typedef struct DefaultDict {
    PyDictObject dict;
    PyObject *factory;                        /* NULL, None or a callable */
} DefaultDict;

#define FACTORY(o) (((DefaultDict *)(o))->factory)

BUILTIN_O(defaultdict, __missing__, "($self, object, /)",
          "__missing__(key) # Called by __getitem__ for missing key; pseudo-code:\n  if self.default_factory is None: raise KeyError((key,))\n"
          "  self[key] = value = self.default_factory()\n  return value\n")
{
    PyObject *factory = FACTORY(self), *value;
    if (!factory || factory == Py_None) {
        PyObject *args = PyTuple_Pack(1, arg);
        if (args) PyErr_SetObject(PyExc_KeyError, args);
        Py_XDECREF(args);
        return NULL;
    }
    Py_INCREF(factory);
    value = PyObject_CallNoArgs(factory);
    Py_DECREF(factory);
    if (value && PyObject_SetItem(self, arg, value) < 0) Py_CLEAR(value);
    return value;
}

/* type(self)(factory, items) */
static PyObject *defaultdict_like(PyObject *self, PyObject *items)
{
    return PyObject_CallFunctionObjArgs((PyObject *)Py_TYPE(self), FACTORY(self) ? FACTORY(self) : Py_None, items, NULL);
}

BUILTIN_NOARGS(defaultdict, copy, "($self, /)", "D.copy() -> a shallow copy of D.") { return defaultdict_like(self, self); }
BUILTIN_NOARGS(defaultdict, __copy__, "($self, /)", "D.copy() -> a shallow copy of D.") { return defaultdict_like(self, self); }

BUILTIN_NOARGS(defaultdict, __reduce__, "($self, /)", "Return state information for pickling.")
{
    PyObject *args = !FACTORY(self) || FACTORY(self) == Py_None ? PyTuple_New(0) : PyTuple_Pack(1, FACTORY(self));
    PyObject *items = args ? PyObject_CallMethod(self, "items", NULL) : NULL, *it = items ? PyObject_GetIter(items) : NULL, *result = NULL;
    if (it) result = PyTuple_Pack(5, Py_TYPE(self), args, Py_None, Py_None, it);
    Py_XDECREF(it);
    Py_XDECREF(items);
    Py_XDECREF(args);
    return result;
}

static void defaultdict_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    Py_CLEAR(FACTORY(self));
    PyDict_Type.tp_dealloc(self);
    Py_DECREF(type);
}

static PyObject *defaultdict_repr(PyObject *self)
{
    PyObject *base = PyDict_Type.tp_repr(self), *factory = FACTORY(self), *shown, *result = NULL;
    if (!base) return NULL;
    if (!factory) shown = PyUnicode_FromString("None");
    else {
        int entered = Py_ReprEnter(factory);
        if (entered) shown = entered > 0 ? PyUnicode_FromString("...") : NULL;
        else {
            shown = PyObject_Repr(factory);
            Py_ReprLeave(factory);
        }
    }
    if (shown) {
        const char *dot = strrchr(Py_TYPE(self)->tp_name, '.');
        result = PyUnicode_FromFormat("%s(%U, %U)", dot ? dot + 1 : Py_TYPE(self)->tp_name, shown, base);
        Py_DECREF(shown);
    }
    Py_DECREF(base);
    return result;
}

/* Which of the two is ours is not known beforehand; neither may be a dict but no defaultdict. */
static PyObject *defaultdict_or(PyObject *left, PyObject *right)
{
    PyObject *module = PyType_GetModuleByDef(Py_TYPE(left), &collections_module);
    if (!module) {
        PyErr_Clear();
        if (!(module = PyType_GetModuleByDef(Py_TYPE(right), &collections_module))) return NULL;
    }
    CollectionsState *state = PyModule_GetState(module);
    bool left_is_ours = PyObject_TypeCheck(left, state->defaultdict_type);
    if (!PyDict_Check(left_is_ours ? right : left)) Py_RETURN_NOTIMPLEMENTED;
    PyObject *result = defaultdict_like(left_is_ours ? left : right, left);
    if (result && PyDict_Update(result, right) < 0) Py_CLEAR(result);
    return result;
}

static int defaultdict_traverse(PyObject *self, visitproc visit, void *arg)
{
    VISIT_TYPE(self);
    Py_VISIT(FACTORY(self));
    return PyDict_Type.tp_traverse(self, visit, arg);
}

static int defaultdict_clear(PyObject *self)
{
    Py_CLEAR(FACTORY(self));
    return PyDict_Type.tp_clear(self);
}

static int defaultdict_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    PyObject *factory = NULL, *rest;
    if (PyTuple_GET_SIZE(args)) {
        factory = PyTuple_GET_ITEM(args, 0);
        if (!PyCallable_Check(factory) && factory != Py_None) {
            PyErr_SetString(PyExc_TypeError, "first argument must be callable or None");
            return -1;
        }
    }
    if (!(rest = PyTuple_GetSlice(args, 1, PY_SSIZE_T_MAX))) return -1;
    PyObject *old = FACTORY(self);
    FACTORY(self) = Py_XNewRef(factory);
    int status = PyDict_Type.tp_init(self, rest, kwargs);
    Py_DECREF(rest);
    Py_XDECREF(old);
    return status;
}

static PyMethodDef defaultdict_methods[] = {
    METHOD(defaultdict, __missing__), METHOD(defaultdict, copy), METHOD(defaultdict, __copy__), METHOD(defaultdict, __reduce__),
    CLASS_GETITEM_METHOD, { 0 },
};
static PyMemberDef defaultdict_members[] = {
    { "default_factory", _Py_T_OBJECT, offsetof(DefaultDict, factory), 0, "Factory for default value called by __missing__()." }, { 0 },
};
static PyType_Slot defaultdict_slots[] = {
    { Py_tp_doc, "defaultdict(default_factory=None, /, [...]) --> dict with default factory\n\n"
                 "The default factory is called without arguments to produce\na new value when a key is not present, in __getitem__ only.\n"
                 "A defaultdict compares equal to a dict with the same items.\nAll remaining arguments are treated the same as if they were\n"
                 "passed to the dict constructor, including keyword arguments." },
    SLOT(tp_dealloc, defaultdict_dealloc), SLOT(tp_repr, defaultdict_repr), SLOT(nb_or, defaultdict_or),
    SLOT(tp_getattro, PyObject_GenericGetAttr), SLOT(tp_traverse, defaultdict_traverse), SLOT(tp_clear, defaultdict_clear),
    SLOT(tp_methods, defaultdict_methods), SLOT(tp_members, defaultdict_members), SLOT(tp_init, defaultdict_init),
    SLOT(tp_alloc, PyType_GenericAlloc), SLOT(tp_free, PyObject_GC_Del), { 0, NULL },
};
PyType_Spec defaultdict_spec = {
    "collections.defaultdict", sizeof(DefaultDict), 0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE, defaultdict_slots,
};

/* ---- _tuplegetter ---------------------------------------------------------------------------------------------------------------- */

typedef struct TupleGetter {
    PyObject_HEAD
    Py_ssize_t index;
    PyObject *doc;
} TupleGetter;

#define GETTER(o) ((TupleGetter *)(o))

static PyObject *tuplegetter_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *index, *doc;
    if (refuse_keywords("_tuplegetter", kwargs) < 0 || !PyArg_UnpackTuple(args, "_tuplegetter", 2, 2, &index, &doc)) return NULL;
    PyObject *number = PyNumber_Index(index);
    if (!number) return NULL;
    Py_ssize_t value = PyLong_AsSsize_t(number);
    Py_DECREF(number);
    if (value == -1 && PyErr_Occurred()) return NULL;
    TupleGetter *self = (TupleGetter *)type->tp_alloc(type, 0);
    if (!self) return NULL;
    self->index = value;
    self->doc = Py_NewRef(doc);
    return (PyObject *)self;
}

static PyObject *tuplegetter_descr_get(PyObject *self, PyObject *obj, PyObject *type)
{
    Py_ssize_t index = GETTER(self)->index;
    if (!obj) return Py_NewRef(self);
    if (!PyTuple_Check(obj)) {
        if (obj == Py_None) {
            if (type && type != Py_None) return Py_NewRef(self);
            PyErr_SetString(PyExc_TypeError, "__get__(None, None) is invalid");
            return NULL;
        }
        PyErr_Format(PyExc_TypeError, "descriptor for index '%zd' for tuple subclasses doesn't apply to '%s' object", index,
                     Py_TYPE(obj)->tp_name);
        return NULL;
    }
    if (index < 0 || index >= PyTuple_GET_SIZE(obj)) {
        PyErr_SetString(PyExc_IndexError, "tuple index out of range");
        return NULL;
    }
    return Py_NewRef(PyTuple_GET_ITEM(obj, index));
}

static int tuplegetter_descr_set(PyObject *Py_UNUSED(self), PyObject *Py_UNUSED(obj), PyObject *value)
{
    PyErr_SetString(PyExc_AttributeError, value ? "can't set attribute" : "can't delete attribute");
    return -1;
}

static int tuplegetter_traverse(PyObject *self, visitproc visit, void *arg)
{
    VISIT_TYPE(self);
    Py_VISIT(GETTER(self)->doc);
    return 0;
}

static int tuplegetter_clear(PyObject *self)
{
    Py_CLEAR(GETTER(self)->doc);
    return 0;
}

static void tuplegetter_dealloc(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    tuplegetter_clear(self);
    free_instance(self);
}

static PyObject *tuplegetter_repr(PyObject *self)
{
    const char *dot = strrchr(Py_TYPE(self)->tp_name, '.');
    return PyUnicode_FromFormat("%s(%zd, %R)", dot ? dot + 1 : Py_TYPE(self)->tp_name, GETTER(self)->index, GETTER(self)->doc);
}

BUILTIN_NOARGS(tuplegetter, __reduce__, "($self, /)", "Type and arguments for pickling.")
{
    return Py_BuildValue("(O(nO))", Py_TYPE(self), GETTER(self)->index, GETTER(self)->doc);
}

static PyMethodDef tuplegetter_methods[] = { METHOD(tuplegetter, __reduce__), { 0 } };
static PyMemberDef tuplegetter_members[] = { { "__doc__", _Py_T_OBJECT, offsetof(TupleGetter, doc), 0, NULL }, { 0 } };
static PyType_Slot tuplegetter_slots[] = {
    SLOT(tp_dealloc, tuplegetter_dealloc), SLOT(tp_traverse, tuplegetter_traverse), SLOT(tp_clear, tuplegetter_clear),
    SLOT(tp_methods, tuplegetter_methods), SLOT(tp_members, tuplegetter_members), SLOT(tp_descr_get, tuplegetter_descr_get),
    SLOT(tp_descr_set, tuplegetter_descr_set), SLOT(tp_new, tuplegetter_new), SLOT(tp_repr, tuplegetter_repr), { 0, NULL },
};
PyType_Spec tuplegetter_spec = {
    "collections._tuplegetter", sizeof(TupleGetter), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    tuplegetter_slots,
};

/* ---- counting ---------------------------------------------------------------------------------------------------------------------- */

/* d[key] += 1 in a dict whose methods are those of dict. */
static int count_in_dict(PyObject *d, PyObject *key, PyObject *one)
{
    Py_hash_t hash = PyObject_Hash(key);
    if (hash == -1) return -1;
    PyObject *old = _PyDict_GetItem_KnownHash(d, key, hash), *sum;        /* borrowed */
    if (!old && PyErr_Occurred()) return -1;
    if (!old) return dict_set_known_hash((PyDictObject *)d, key, hash, one);
    Py_INCREF(old);
    sum = PyNumber_Add(old, one);
    Py_DECREF(old);
    if (!sum) return -1;
    int status = dict_set_known_hash((PyDictObject *)d, key, hash, sum);
    Py_DECREF(sum);
    return status;
}

static int count_in_mapping(PyObject *mapping, PyObject *get, PyObject *key, PyObject *zero, PyObject *one)
{
    PyObject *old = PyObject_CallFunctionObjArgs(get, key, zero, NULL), *sum = old ? PyNumber_Add(old, one) : NULL;
    int status = sum ? PyObject_SetItem(mapping, key, sum) : -1;
    Py_XDECREF(old);
    Py_XDECREF(sum);
    return status;
}

/* Does the mapping behave as a dict for get and []? */
static int is_plain_dict(PyObject *mapping, bool *plain)
{
    PyObject *names[2] = { PyUnicode_InternFromString("get"), PyUnicode_InternFromString("__setitem__") };
    int status = names[0] && names[1] ? 0 : -1;
    *plain = status == 0 && PyDict_Check(mapping);
    for (int i = 0; i < 2 && *plain; i++) {
        PyObject *mine = _PyType_Lookup(Py_TYPE(mapping), names[i]), *original = _PyType_Lookup(&PyDict_Type, names[i]);
        *plain = mine && mine == original;
    }
    Py_XDECREF(names[0]);
    Py_XDECREF(names[1]);
    return status;
}

BUILTIN(collections, _count_elements, POSITIONAL, "($module, mapping, iterable, /)",
        "Count elements in the iterable, updating the mapping")
{
    PyObject *mapping = arg[0], *it = NULL, *get = NULL, *zero = NULL, *one = NULL, *key;
    bool plain;
    int status = -1;
    if (!(it = PyObject_GetIter(arg[1])) || !(zero = PyLong_FromLong(0)) || !(one = PyLong_FromLong(1)) ||
        is_plain_dict(mapping, &plain) < 0) goto done;
    if (!plain && !(get = PyObject_GetAttrString(mapping, "get"))) goto done;
    while ((key = PyIter_Next(it))) {
        status = plain ? count_in_dict(mapping, key, one) : count_in_mapping(mapping, get, key, zero, one);
        Py_DECREF(key);
        if (status < 0) goto done;
    }
    status = PyErr_Occurred() ? -1 : 0;
done:
    Py_XDECREF(it);
    Py_XDECREF(get);
    Py_XDECREF(zero);
    Py_XDECREF(one);
    return status < 0 ? NULL : Py_NewRef(Py_None);
}

/* ---- module ------------------------------------------------------------------------------------------------------------------------ */

static PyMethodDef collections_methods[] = { METHOD(collections, _count_elements), { 0 } };

static int collections_exec(PyObject *module)
{
    CollectionsState *state = PyModule_GetState(module);
    if (module_add_type(module, &deque_spec, &state->deque_type) < 0) return -1;
    if (!(state->defaultdict_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &defaultdict_spec, (PyObject *)&PyDict_Type))) return -1;
    if (PyModule_AddType(module, state->defaultdict_type) < 0) return -1;
    if (module_add_type(module, &deque_iterator_spec, &state->iterator_type) < 0) return -1;
    if (module_add_type(module, &deque_reverse_iterator_spec, &state->reverse_iterator_type) < 0) return -1;
    if (module_add_type(module, &tuplegetter_spec, &state->tuplegetter_type) < 0) return -1;
    return PyModule_AddType(module, &PyODict_Type);
}

static int collections_traverse(PyObject *module, visitproc visit, void *arg)
{
    CollectionsState *state = PyModule_GetState(module);
    Py_VISIT(state->deque_type);
    Py_VISIT(state->iterator_type);
    Py_VISIT(state->reverse_iterator_type);
    Py_VISIT(state->defaultdict_type);
    Py_VISIT(state->tuplegetter_type);
    return 0;
}

static int collections_clear(PyObject *module)
{
    CollectionsState *state = PyModule_GetState(module);
    Py_CLEAR(state->deque_type);
    Py_CLEAR(state->iterator_type);
    Py_CLEAR(state->reverse_iterator_type);
    Py_CLEAR(state->defaultdict_type);
    Py_CLEAR(state->tuplegetter_type);
    return 0;
}

static void collections_free(void *module) { collections_clear(module); }

static PyModuleDef_Slot collections_slots[] = { SLOT(mod_exec, collections_exec), MODULE_SLOTS_COMMON, { 0, NULL } };

struct PyModuleDef collections_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_collections",
    .m_doc = "High performance data structures.\n- deque:        ordered collection accessible from endpoints only\n"
             "- defaultdict:  dict subclass with a default value factory\n",
    .m_size = sizeof(CollectionsState),
    .m_methods = collections_methods,
    .m_slots = collections_slots,
    .m_traverse = collections_traverse,
    .m_clear = collections_clear,
    .m_free = collections_free,
};

PyMODINIT_FUNC PyInit__collections(void) { return PyModuleDef_Init(&collections_module); }
