/* Pickling of objects: object.__reduce_ex__, __reduce__ and __getstate__. The protocols 0 and 1 are in copyreg.py. */
#include "objects/instance.h"

static PyObject *cannot_pickle(PyObject *o)
{
    PyErr_Format(PyExc_TypeError, "cannot pickle '%.200s' object", Py_TYPE(o)->tp_name);
    return NULL;
}

static PyObject *call_copyreg(const char *name, PyObject *a, PyObject *b)
{
    PyObject *module = PyImport_ImportModule("copyreg"), *function, *result;
    if (!module) return NULL;
    function = PyObject_GetAttrString(module, name);
    Py_DECREF(module);
    if (!function || !a) return function;
    result = PyObject_CallFunctionObjArgs(function, a, b, NULL);
    Py_DECREF(function);
    return result;
}

/* NEW: list of the names that __slots__ gave, or None. */
static PyObject *slot_names(PyTypeObject *cls)
{
    PyObject *names = NULL, *key = PyUnicode_InternFromString("__slotnames__");
    if (!key) return NULL;
    int found = PyDict_GetItemRef(cls->tp_dict, key, &names);
    Py_DECREF(key);
    if (found < 0) return NULL;
    if (found) {
        if (names == Py_None || PyList_Check(names)) return names;
        PyErr_Format(PyExc_TypeError, "%.200s.__slotnames__ should be a list or None, not %.200s", cls->tp_name, Py_TYPE(names)->tp_name);
        Py_DECREF(names);
        return NULL;
    }
    names = call_copyreg("_slotnames", OBJECT(cls), NULL);
    if (names && names != Py_None && !PyList_Check(names)) {
        PyErr_SetString(PyExc_TypeError, "copyreg._slotnames didn't return a list or None");
        Py_CLEAR(names);
    }
    return names;
}

/* -1: error. 1: no attributes in dict or shape. */
static int dict_is_empty(PyObject *o)
{
    if (!Py_TYPE(o)->tp_dictoffset) return 1;
    PyObject *dict;
    if (Py_TYPE(o)->tp_flags & Py_TPFLAGS_MANAGED_DICT) {
        Shape *shape = instance_shape(o);
        if (shape) return shape->count == 0;
        dict = instance_dict_if_any(o);
    }
    else {
        PyObject **at = _PyObject_GetDictPtr(o);
        dict = at ? *at : NULL;
    }
    return !dict || PyDict_GET_SIZE(dict) == 0;
}

/* Adds to a dict what the slots named hold. */
static PyObject *slots_state(PyObject *o, PyObject *names)
{
    PyObject *slots = PyDict_New();
    Py_ssize_t count = PyList_GET_SIZE(names);
    for (Py_ssize_t i = 0; slots && i < count; i++) {
        PyObject *name = Py_NewRef(PyList_GET_ITEM(names, i)), *value;
        int status = PyObject_GetOptionalAttr(o, name, &value);
        if (status > 0) {
            status = PyDict_SetItem(slots, name, value);
            Py_DECREF(value);
        }
        Py_DECREF(name);
        if (status < 0) Py_CLEAR(slots);
        else if (count != PyList_GET_SIZE(names)) {
            PyErr_SetString(PyExc_RuntimeError, "__slotsname__ changed size during iteration");
            Py_CLEAR(slots);
        }
    }
    return slots;
}

PyObject *object_getstate_default(PyObject *o, bool required)
{
    PyTypeObject *type = Py_TYPE(o);
    if (required && type->tp_itemsize) {
        PyErr_Format(PyExc_TypeError, "cannot pickle %.200s objects", type->tp_name);
        return NULL;
    }
    PyObject *state = dict_is_empty(o) ? Py_NewRef(Py_None) : PyObject_GenericGetDict(o, NULL);
    if (!state) return NULL;
    PyObject *names = slot_names(type);
    if (!names) {
        Py_DECREF(state);
        return NULL;
    }
    if (required) {                                          /* C fields that nobody accounts for cannot be copied */
        Py_ssize_t known = PyBaseObject_Type.tp_basicsize;
        if (type->tp_dictoffset > 0) known += (Py_ssize_t)sizeof(PyObject *);
        if (type->tp_weaklistoffset > 0) known += (Py_ssize_t)sizeof(PyObject *);
        if (names != Py_None) known += (Py_ssize_t)sizeof(PyObject *) * PyList_GET_SIZE(names);
        if (type->tp_basicsize > known) {
            Py_DECREF(names);
            Py_DECREF(state);
            return cannot_pickle(o);
        }
    }
    if (names != Py_None && PyList_GET_SIZE(names) > 0) {
        PyObject *slots = slots_state(o, names);
        if (!slots) Py_CLEAR(state);
        else if (PyDict_GET_SIZE(slots)) Py_SETREF(state, PyTuple_Pack(2, state, slots));
        Py_XDECREF(slots);
    }
    Py_DECREF(names);
    return state;
}

static PyObject *get_state(PyObject *o, bool required)
{
    PyObject *method = PyObject_GetAttr(o, STR(__getstate__));
    if (!method) return NULL;
    PyObject *state;
    if (PyCFunction_Check(method) && PyCFunction_GET_SELF(method) == o && PyCFunction_GET_FUNCTION(method) == object_getstate_method)
        state = object_getstate_default(o, required);        /* not overridden */
    else state = PyObject_CallNoArgs(method);
    Py_DECREF(method);
    return state;
}

/* What __new__ gets: NEW references, either may be NULL. */
static int new_arguments(PyObject *o, PyObject **args, PyObject **kwargs)
{
    *args = *kwargs = NULL;
    PyObject *method = type_lookup_special_bound(o, STR(__getnewargs_ex__));
    if (method) {
        PyObject *pair = PyObject_CallNoArgs(method);
        Py_DECREF(method);
        if (!pair) return -1;
        if (!PyTuple_Check(pair))
            PyErr_Format(PyExc_TypeError, "__getnewargs_ex__ should return a tuple, not '%.200s'", Py_TYPE(pair)->tp_name);
        else if (PyTuple_GET_SIZE(pair) != 2)
            PyErr_Format(PyExc_ValueError, "__getnewargs_ex__ should return a tuple of length 2, not %zd", PyTuple_GET_SIZE(pair));
        else if (!PyTuple_Check(PyTuple_GET_ITEM(pair, 0)))
            PyErr_Format(PyExc_TypeError, "first item of the tuple returned by __getnewargs_ex__ must be a tuple, not '%.200s'",
                         Py_TYPE(PyTuple_GET_ITEM(pair, 0))->tp_name);
        else if (!PyDict_Check(PyTuple_GET_ITEM(pair, 1)))
            PyErr_Format(PyExc_TypeError, "second item of the tuple returned by __getnewargs_ex__ must be a dict, not '%.200s'",
                         Py_TYPE(PyTuple_GET_ITEM(pair, 1))->tp_name);
        else {
            *args = Py_NewRef(PyTuple_GET_ITEM(pair, 0));
            *kwargs = Py_NewRef(PyTuple_GET_ITEM(pair, 1));
        }
        Py_DECREF(pair);
        return *args ? 0 : -1;
    }
    if (PyErr_Occurred()) return -1;
    method = type_lookup_special_bound(o, STR(__getnewargs__));
    if (!method) return PyErr_Occurred() ? -1 : 0;
    *args = PyObject_CallNoArgs(method);
    Py_DECREF(method);
    if (!*args) return -1;
    if (PyTuple_Check(*args)) return 0;
    PyErr_Format(PyExc_TypeError, "__getnewargs__ should return a tuple, not '%.200s'", Py_TYPE(*args)->tp_name);
    Py_CLEAR(*args);
    return -1;
}

static PyObject *prepend(PyObject *first, PyObject *args)
{
    Py_ssize_t n = args ? PyTuple_GET_SIZE(args) : 0;
    PyObject *result = PyTuple_New(n + 1);
    if (!result) return NULL;
    PyTuple_SET_ITEM(result, 0, Py_NewRef(first));
    for (Py_ssize_t i = 0; i < n; i++) PyTuple_SET_ITEM(result, i + 1, Py_NewRef(PyTuple_GET_ITEM(args, i)));
    return result;
}

static PyObject *items_iterator(PyObject *o)
{
    PyObject *items = PyObject_CallMethodNoArgs(o, STR(items));
    if (!items) return NULL;
    PyObject *it = PyObject_GetIter(items);
    Py_DECREF(items);
    return it;
}

/* Protocol 2: copyreg.__newobj__(cls, *args) and the state. */
static PyObject *reduce_newobj(PyObject *o)
{
    PyObject *args = NULL, *kwargs = NULL, *function = NULL, *new_args = NULL, *state = NULL, *list = NULL, *dict = NULL, *result = NULL;
    PyObject *cls = OBJECT(Py_TYPE(o));
    if (!Py_TYPE(o)->tp_new) return cannot_pickle(o);
    if (new_arguments(o, &args, &kwargs) < 0) return NULL;
    bool has_args = args != NULL;
    if (!kwargs || PyDict_GET_SIZE(kwargs) == 0) {
        function = call_copyreg("__newobj__", NULL, NULL);
        if (function) new_args = prepend(cls, args);
    }
    else {
        function = call_copyreg("__newobj_ex__", NULL, NULL);
        if (function) new_args = PyTuple_Pack(3, cls, args, kwargs);
    }
    if (!new_args) goto done;
    if (!(state = get_state(o, !(has_args || PyList_Check(o) || PyDict_Check(o))))) goto done;
    if (!(list = PyList_Check(o) ? PyObject_GetIter(o) : Py_NewRef(Py_None))) goto done;
    if (!(dict = PyDict_Check(o) ? items_iterator(o) : Py_NewRef(Py_None))) goto done;
    result = PyTuple_Pack(5, function, new_args, state, list, dict);
done:
    Py_XDECREF(args);
    Py_XDECREF(kwargs);
    Py_XDECREF(function);
    Py_XDECREF(new_args);
    Py_XDECREF(state);
    Py_XDECREF(list);
    Py_XDECREF(dict);
    return result;
}

PyObject *object_reduce(PyObject *o, int protocol)
{
    if (protocol >= 2) return reduce_newobj(o);
    PyObject *number = PyLong_FromLong(protocol);
    if (!number) return NULL;
    PyObject *result = call_copyreg("_reduce_ex", o, number);
    Py_DECREF(number);
    return result;
}

PyObject *object_reduce_ex(PyObject *o, PyObject *protocol)
{
    int number = PyLong_AsInt(protocol);
    PyObject *reduce;
    if (number == -1 && PyErr_Occurred()) return NULL;
    if (PyObject_GetOptionalAttr(o, STR(__reduce__), &reduce) < 0) return NULL;
    if (reduce) {                                            /* a class that defines __reduce__ means it for every protocol */
        PyObject *own = type_lookup(Py_TYPE(o), STR(__reduce__)), *plain = type_lookup(&PyBaseObject_Type, STR(__reduce__));
        if (own != plain) {
            PyObject *result = PyObject_CallNoArgs(reduce);
            Py_DECREF(reduce);
            return result;
        }
        Py_DECREF(reduce);
    }
    return object_reduce(o, number);
}
