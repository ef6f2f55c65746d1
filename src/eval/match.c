/* Pattern matching: keys of mappings, attributes of classes. */
#include "eval/eval_private.h"

/* NEW: tuple of values; None when a key is missing. */
PyObject *eval_match_keys(PyThreadState *ts, PyObject *map, PyObject *keys)
{
    Py_ssize_t n = PyTuple_GET_SIZE(keys);
    if (n == 0) return Py_NewRef(EMPTY_TUPLE);
    PyObject *seen = NULL, *missing = NULL, *values = NULL, *get = NULL;
    /* get() with a default and not __getitem__: a defaultdict must not grow by being matched */
    if (!(get = PyObject_GetAttr(map, STR(get))) || !(seen = PySet_New(NULL)) ||
        !(missing = PyObject_CallNoArgs((PyObject *)&PyBaseObject_Type)) || !(values = PyTuple_New(n))) goto fail;
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *key = PyTuple_GET_ITEM(keys, i);
        int duplicate = PySet_Contains(seen, key);
        if (duplicate || PySet_Add(seen, key) < 0) {
            if (duplicate > 0) PyErr_Format(PyExc_ValueError, "mapping pattern checks duplicate key (%R)", key);
            goto fail;
        }
        PyObject *args[2] = {key, missing}, *v = PyObject_Vectorcall(get, args, 2, NULL);
        if (!v) goto fail;
        if (v == missing) {
            Py_DECREF(v);
            Py_SETREF(values, Py_NewRef(Py_None));
            break;
        }
        PyTuple_SET_ITEM(values, i, v);
    }
    goto done;
fail:
    Py_CLEAR(values);
done:
    Py_XDECREF(get);
    Py_XDECREF(seen);
    Py_XDECREF(missing);
    return values;
}

/* NEW, NULL without exception: no such attribute. */
static PyObject *match_attribute(PyObject *subject, PyTypeObject *type, PyObject *name, PyObject *seen)
{
    int duplicate = PySet_Contains(seen, name);
    if (duplicate || PySet_Add(seen, name) < 0) {
        if (duplicate > 0) PyErr_Format(PyExc_TypeError, "%s() got multiple sub-patterns for attribute %R", type->tp_name, name);
        return NULL;
    }
    PyObject *v;
    (void)PyObject_GetOptionalAttr(subject, name, &v);
    return v;
}

/* Positional sub-patterns, by __match_args__. 0, or -1: no match or an exception. */
static int match_positional(PyObject *subject, PyTypeObject *cls, Py_ssize_t nargs, PyObject *seen, PyObject *attrs)
{
    PyObject *match_args = NULL;
    bool match_self = false;
    int status = -1;
    if (PyObject_GetOptionalAttr((PyObject *)cls, STR(__match_args__), &match_args) < 0) return -1;
    if (match_args) {
        if (!PyTuple_CheckExact(match_args)) {
            PyErr_Format(PyExc_TypeError, "%s.__match_args__ must be a tuple (got %s)", cls->tp_name, Py_TYPE(match_args)->tp_name);
            goto done;
        }
    }
    else {
        match_self = cls->tp_flags & _Py_TPFLAGS_MATCH_SELF;
        match_args = Py_NewRef(EMPTY_TUPLE);
    }
    Py_ssize_t allowed = match_self ? 1 : PyTuple_GET_SIZE(match_args);
    if (allowed < nargs) {
        PyErr_Format(PyExc_TypeError, "%s() accepts %zd positional sub-pattern%s (%zd given)", cls->tp_name, allowed,
                     allowed == 1 ? "" : "s", nargs);
        goto done;
    }
    if (match_self) {
        if (PyList_Append(attrs, subject) < 0) goto done;
    }
    else {
        for (Py_ssize_t i = 0; i < nargs; i++) {
            PyObject *name = PyTuple_GET_ITEM(match_args, i);
            if (!PyUnicode_CheckExact(name)) {
                PyErr_Format(PyExc_TypeError, "__match_args__ elements must be strings (got %s)", Py_TYPE(name)->tp_name);
                goto done;
            }
            PyObject *v = match_attribute(subject, cls, name, seen);
            if (!v) goto done;
            int appended = PyList_Append(attrs, v);
            Py_DECREF(v);
            if (appended < 0) goto done;
        }
    }
    status = 0;
done:
    Py_XDECREF(match_args);
    return status;
}

/* NEW tuple of attributes; NULL without exception when there is no match. */
PyObject *eval_match_class(PyThreadState *ts, PyObject *subject, PyObject *type, Py_ssize_t nargs, PyObject *kwargs)
{
    if (!PyType_Check(type)) {
        PyErr_SetString(PyExc_TypeError, "called match pattern must be a class");
        return NULL;
    }
    if (PyObject_IsInstance(subject, type) <= 0) return NULL;
    PyObject *seen = PySet_New(NULL), *attrs = seen ? PyList_New(0) : NULL, *result = NULL;
    if (!attrs) goto done;
    if (nargs && match_positional(subject, (PyTypeObject *)type, nargs, seen, attrs) < 0) goto done;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(kwargs); i++) {
        PyObject *v = match_attribute(subject, (PyTypeObject *)type, PyTuple_GET_ITEM(kwargs, i), seen);
        if (!v) goto done;
        int appended = PyList_Append(attrs, v);
        Py_DECREF(v);
        if (appended < 0) goto done;
    }
    result = PyList_AsTuple(attrs);
done:
    Py_XDECREF(seen);
    Py_XDECREF(attrs);
    return result;
}
