/* Private names that compiled modules import, of things that belong to runtime/. */
#include "runtime/state.h"
#include "objects/dict.h"

#include <fcntl.h>

PyAPI_FUNC(int) _Py_IsValidFD(int fd);
PyAPI_FUNC(int) _Py_convert_optional_to_ssize_t(PyObject *o, void *result);
PyAPI_FUNC(void) _PyErr_SetKeyError(PyObject *key);
PyAPI_FUNC(PyObject *) _PyErr_FormatFromCause(PyObject *type, const char *format, ...);
PyAPI_FUNC(int) _PyGen_FetchStopIterationValue(PyObject **value);
PyAPI_FUNC(int) _PySet_Update(PyObject *set, PyObject *iterable);
PyAPI_FUNC(int) _PySet_NextEntry(PyObject *set, Py_ssize_t *at, PyObject **key, Py_hash_t *hash);
PyAPI_FUNC(int) _PySet_NextEntryRef(PyObject *set, Py_ssize_t *at, PyObject **key, Py_hash_t *hash);
PyAPI_FUNC(PyObject *) _PyList_Extend(PyListObject *list, PyObject *iterable);
PyAPI_FUNC(int) _PyDict_SetItem_KnownHash(PyObject *d, PyObject *key, PyObject *value, Py_hash_t hash);
PyAPI_FUNC(int) _PyDict_SetItem_KnownHash_LockHeld(PyDictObject *d, PyObject *key, PyObject *value, Py_hash_t hash);
PyAPI_FUNC(PyObject *) _Py_CheckFunctionResult(PyThreadState *t, PyObject *callable, PyObject *result, const char *where);
PyAPI_FUNC(PyObject *) _PyObject_MakeTpCall(PyThreadState *t, PyObject *callable, PyObject *const *args, Py_ssize_t nargs, PyObject *keywords);

int _Py_IsValidFD(int fd) { return fd >= 0 && fcntl(fd, F_GETFD) >= 0; }

/* A converter of PyArg_Parse: None leaves the value as it is. */
int _Py_convert_optional_to_ssize_t(PyObject *o, void *result)
{
    if (o == Py_None) return 1;
    if (!PyIndex_Check(o)) {
        PyErr_Format(PyExc_TypeError, "argument should be integer or None, not '%.200s'", Py_TYPE(o)->tp_name);
        return 0;
    }
    Py_ssize_t value = PyNumber_AsSsize_t(o, PyExc_OverflowError);
    if (value == -1 && PyErr_Occurred()) return 0;
    *(Py_ssize_t *)result = value;
    return 1;
}

void _PyErr_SetKeyError(PyObject *key)
{
    PyObject *args = PyTuple_Pack(1, key);    /* a tuple as key is not to become the arguments */
    if (args) PyErr_SetObject(PyExc_KeyError, args);
    Py_XDECREF(args);
}

PyObject *_PyErr_FormatFromCause(PyObject *type, const char *format, ...)
{
    PyObject *cause = PyErr_GetRaisedException();
    va_list arguments;
    va_start(arguments, format);
    PyErr_FormatV(type, format, arguments);
    va_end(arguments);
    PyObject *error = PyErr_GetRaisedException();
    PyException_SetCause(error, Py_XNewRef(cause));
    PyException_SetContext(error, cause);
    PyErr_SetRaisedException(error);
    return NULL;
}

/* What the StopIteration that is set carries, or None when none is set; -1 leaves another exception. */
int _PyGen_FetchStopIterationValue(PyObject **value)
{
    *value = NULL;
    if (PyErr_Occurred()) {
        if (!PyErr_ExceptionMatches(PyExc_StopIteration)) return -1;
        PyObject *error = PyErr_GetRaisedException();
        *value = PyObject_GetAttrString(error, "value");
        Py_DECREF(error);
        return *value ? 0 : -1;
    }
    *value = Py_NewRef(Py_None);
    return 0;
}

int _PySet_Update(PyObject *set, PyObject *iterable)
{
    PyObject *r = PyObject_CallMethod(set, "update", "(O)", iterable);
    Py_XDECREF(r);
    return r ? 0 : -1;
}

/* The key is borrowed; 0 after the last one, -1 for what is no set. */
int _PySet_NextEntry(PyObject *set, Py_ssize_t *at, PyObject **key, Py_hash_t *hash)
{
    if (!PyAnySet_Check(set)) {
        PyErr_BadInternalCall();
        return -1;
    }
    PySetObject *s = (PySetObject *)set;
    Py_ssize_t i = *at;
    while (i >= 0 && i <= s->mask && (!s->table[i].key || s->table[i].hash == -1)) i++;     /* empty, or deleted */
    *at = i + 1;
    if (i < 0 || i > s->mask) return 0;
    *key = s->table[i].key;
    *hash = s->table[i].hash;
    return 1;
}

int _PySet_NextEntryRef(PyObject *set, Py_ssize_t *at, PyObject **key, Py_hash_t *hash)
{
    int found = _PySet_NextEntry(set, at, key, hash);
    if (found == 1) Py_INCREF(*key);
    return found;
}

PyObject *_PyList_Extend(PyListObject *list, PyObject *iterable)
{
    return PyList_Extend((PyObject *)list, iterable) < 0 ? NULL : Py_NewRef(Py_None);
}

int _PyDict_SetItem_KnownHash(PyObject *d, PyObject *key, PyObject *value, Py_hash_t hash)
{
    if (PyDict_Check(d)) return dict_set_known_hash((PyDictObject *)d, key, hash, value);
    PyErr_BadInternalCall();
    return -1;
}

int _PyDict_SetItem_KnownHash_LockHeld(PyDictObject *d, PyObject *key, PyObject *value, Py_hash_t hash)
{
    return dict_set_known_hash(d, key, hash, value);
}

/* A call that returned NULL has set an exception, and no other has. */
PyObject *_Py_CheckFunctionResult(PyThreadState *t, PyObject *callable, PyObject *result, const char *where)
{
    bool raised = PyErr_Occurred() != NULL;
    if (LIKELY((result == NULL) == raised)) return result;
    Py_XDECREF(result);
    if (!raised) {
        if (callable) PyErr_Format(PyExc_SystemError, "%R returned NULL without setting an exception", callable);
        else PyErr_Format(PyExc_SystemError, "%s returned NULL without setting an exception", where);
    }
    else if (callable) _PyErr_FormatFromCause(PyExc_SystemError, "%R returned a result with an exception set", callable);
    else _PyErr_FormatFromCause(PyExc_SystemError, "%s returned a result with an exception set", where);
    return NULL;
}

/* Calls tp_call of what has no vectorcall; keywords are a tuple of names, a dict or NULL. */
PyObject *_PyObject_MakeTpCall(PyThreadState *t, PyObject *callable, PyObject *const *args, Py_ssize_t nargs, PyObject *keywords)
{
    ternaryfunc call = Py_TYPE(callable)->tp_call;
    if (!call) return PyErr_Format(PyExc_TypeError, "'%.200s' object is not callable", Py_TYPE(callable)->tp_name);
    PyObject *tuple = PyTuple_New(nargs), *dict = NULL, *result = NULL;
    if (!tuple) return NULL;
    for (Py_ssize_t i = 0; i < nargs; i++) PyTuple_SET_ITEM(tuple, i, Py_NewRef(args[i]));
    if (keywords && PyDict_Check(keywords)) dict = Py_NewRef(keywords);
    else if (keywords && PyTuple_GET_SIZE(keywords)) {
        if (!(dict = PyDict_New())) goto done;
        for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(keywords); i++)
            if (PyDict_SetItem(dict, PyTuple_GET_ITEM(keywords, i), args[nargs + i]) < 0) goto done;
    }
    if (Py_EnterRecursiveCall(" while calling a Python object") == 0) {
        result = call(callable, tuple, dict);
        Py_LeaveRecursiveCall();
        result = _Py_CheckFunctionResult(t, callable, result, NULL);
    }
done:
    Py_DECREF(tuple);
    Py_XDECREF(dict);
    return result;
}
