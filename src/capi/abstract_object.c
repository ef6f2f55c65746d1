/* PyObject_* and PyIter_* protocols that belong to no type: size, items, format, iteration, isinstance and issubclass. */
#include "capi/abstract_private.h"

#include "objects/format.h"
#include "objects/long.h"
#include "objects/type.h"

PyAPI_DATA(PyTypeObject) _PyUnion_Type;      /* the type of int | str */
PyAPI_FUNC(PyObject *) _PyObject_NextNotImplemented(PyObject *it);       /* tp_iternext of classes with __next__ = None */

PyObject *PyObject_Type(PyObject *o)
{
    return o ? Py_NewRef(Py_TYPE(o)) : abstract_null_error();
}

PyObject *abstract_lookup_special(PyObject *o, PyObject *name)
{
    PyObject *found = _PyType_Lookup(Py_TYPE(o), name);
    if (!found) return NULL;
    descrgetfunc get = Py_TYPE(found)->tp_descr_get;
    return get ? get(found, o, OBJECT(Py_TYPE(o))) : Py_NewRef(found);
}

/* ---- size ------------------------------------------------------------------------------------------------------------------------------- */

Py_ssize_t PyObject_Size(PyObject *o)
{
    if (!o) {
        abstract_null_error();
        return -1;
    }
    PySequenceMethods *m = Py_TYPE(o)->tp_as_sequence;
    return LIKELY(m && m->sq_length) ? m->sq_length(o) : PyMapping_Size(o);
}

#undef PyObject_Length
PyAPI_FUNC(Py_ssize_t) PyObject_Length(PyObject *o);
Py_ssize_t PyObject_Length(PyObject *o) { return PyObject_Size(o); }

static bool has_length(PyObject *o)
{
    PySequenceMethods *s = Py_TYPE(o)->tp_as_sequence;
    PyMappingMethods *m = Py_TYPE(o)->tp_as_mapping;
    return (s && s->sq_length) || (m && m->mp_length);
}

Py_ssize_t PyObject_LengthHint(PyObject *o, Py_ssize_t default_value)
{
    if (has_length(o)) {
        Py_ssize_t size = PyObject_Size(o);
        if (size >= 0) return size;
        assert(PyErr_Occurred());
        if (!PyErr_ExceptionMatches(PyExc_TypeError)) return -1;
        PyErr_Clear();
    }
    PyObject *result, *descr = type_lookup(Py_TYPE(o), STR(__length_hint__));
    if (!descr) return default_value;
    if (Py_IS_TYPE(descr, &PyMethodDescr_Type)) result = PyObject_CallOneArg(descr, o);
    else {
        PyObject *method = abstract_lookup_special(o, STR(__length_hint__));
        if (!method) return PyErr_Occurred() ? -1 : default_value;
        result = PyObject_CallNoArgs(method);
        Py_DECREF(method);
    }
    if (!result) {
        if (!PyErr_ExceptionMatches(PyExc_TypeError)) return -1;
        PyErr_Clear();
        return default_value;
    }
    Py_ssize_t hint = default_value;
    if (result != Py_NotImplemented) {
        if (!PyLong_Check(result)) {
            PyErr_Format(PyExc_TypeError, "__length_hint__ must be an integer, not %.100s", Py_TYPE(result)->tp_name);
            hint = -1;
        }
        else {
            hint = PyLong_AsSsize_t(result);
            if (hint < 0 && !PyErr_Occurred()) PyErr_SetString(PyExc_ValueError, "__length_hint__() should return >= 0");
            if (hint < 0) hint = -1;
        }
    }
    Py_DECREF(result);
    return hint;
}

/* ---- items --------------------------------------------------------------------------------------------------------------------------------- */

/* C[key] for a class without a metaclass that knows better */
static NOINLINE PyObject *class_getitem(PyObject *type, PyObject *key)
{
    PyObject *method;
    if (type == OBJECT(&PyType_Type)) return Py_GenericAlias(type, key);
    if (PyObject_GetOptionalAttr(type, STR(__class_getitem__), &method) < 0) return NULL;
    if (method && method != Py_None) {
        PyObject *result = PyObject_CallOneArg(method, key);
        Py_DECREF(method);
        return result;
    }
    Py_XDECREF(method);
    PyErr_Format(PyExc_TypeError, "type '%.200s' is not subscriptable", ((PyTypeObject *)type)->tp_name);
    return NULL;
}

/* The key of a sequence as index; -1 with an exception. */
static int sequence_index(PyObject *key, Py_ssize_t *index)
{
    if (!PyIndex_Check(key)) {
        abstract_type_error("sequence index must be integer, not '%.200s'", key);
        return -1;
    }
    *index = PyNumber_AsSsize_t(key, PyExc_IndexError);
    return *index == -1 && PyErr_Occurred() ? -1 : 0;
}

PyObject *PyObject_GetItem(PyObject *o, PyObject *key)
{
    if (!o || !key) return abstract_null_error();
    PyMappingMethods *m = Py_TYPE(o)->tp_as_mapping;
    if (LIKELY(m && m->mp_subscript)) return m->mp_subscript(o, key);
    PySequenceMethods *s = Py_TYPE(o)->tp_as_sequence;
    if (s && s->sq_item) {
        Py_ssize_t index;
        return sequence_index(key, &index) < 0 ? NULL : PySequence_GetItem(o, index);
    }
    if (PyType_Check(o)) return class_getitem(o, key);
    return abstract_type_error("'%.200s' object is not subscriptable", o);
}

int PyObject_SetItem(PyObject *o, PyObject *key, PyObject *value)
{
    if (!o || !key || !value) {
        abstract_null_error();
        return -1;
    }
    PyMappingMethods *m = Py_TYPE(o)->tp_as_mapping;
    if (LIKELY(m && m->mp_ass_subscript)) return m->mp_ass_subscript(o, key, value);
    PySequenceMethods *s = Py_TYPE(o)->tp_as_sequence;
    if (s && PyIndex_Check(key)) {
        Py_ssize_t index;
        return sequence_index(key, &index) < 0 ? -1 : PySequence_SetItem(o, index, value);
    }
    if (s && s->sq_ass_item) {
        abstract_type_error("sequence index must be integer, not '%.200s'", key);
        return -1;
    }
    abstract_type_error("'%.200s' object does not support item assignment", o);
    return -1;
}

int PyObject_DelItem(PyObject *o, PyObject *key)
{
    if (!o || !key) {
        abstract_null_error();
        return -1;
    }
    PyMappingMethods *m = Py_TYPE(o)->tp_as_mapping;
    if (LIKELY(m && m->mp_ass_subscript)) return m->mp_ass_subscript(o, key, NULL);
    PySequenceMethods *s = Py_TYPE(o)->tp_as_sequence;
    if (s && PyIndex_Check(key)) {
        Py_ssize_t index;
        return sequence_index(key, &index) < 0 ? -1 : PySequence_DelItem(o, index);
    }
    if (s && s->sq_ass_item) {
        abstract_type_error("sequence index must be integer, not '%.200s'", key);
        return -1;
    }
    abstract_type_error("'%.200s' object does not support item deletion", o);
    return -1;
}

int PyObject_DelItemString(PyObject *o, const char *key)
{
    if (!o || !key) {
        abstract_null_error();
        return -1;
    }
    PyObject *name = PyUnicode_FromString(key);
    if (!name) return -1;
    int status = PyObject_DelItem(o, name);
    Py_DECREF(name);
    return status;
}

/* ---- format ------------------------------------------------------------------------------------------------------------------------------- */

PyObject *PyObject_Format(PyObject *o, PyObject *spec)
{
    if (spec && !PyUnicode_Check(spec)) {
        PyErr_Format(PyExc_SystemError, "Format specifier must be a string, not %.200s", Py_TYPE(spec)->tp_name);
        return NULL;
    }
    if (!spec || PyUnicode_GET_LENGTH(spec) == 0) {
        if (PyUnicode_CheckExact(o)) return Py_NewRef(o);
        if (PyLong_CheckExact(o)) return long_to_text(o, 10, false);
    }
    else {                                                   /* types nobody can change: no need to look for the method */
        if (PyUnicode_CheckExact(o)) return format_str(o, spec);
        if (PyLong_CheckExact(o)) return format_int(o, spec);
        if (PyFloat_CheckExact(o)) return format_float(o, spec);
    }
    PyObject *method = abstract_lookup_special(o, STR(__format__));
    if (!method) {
        if (!PyErr_Occurred()) PyErr_Format(PyExc_TypeError, "Type %.100s doesn't define __format__", Py_TYPE(o)->tp_name);
        return NULL;
    }
    PyObject *result = PyObject_CallOneArg(method, spec ? spec : EMPTY_STR);
    Py_DECREF(method);
    if (result && !PyUnicode_Check(result)) {
        PyErr_Format(PyExc_TypeError, "__format__ must return a str, not %.200s", Py_TYPE(result)->tp_name);
        Py_CLEAR(result);
    }
    return result;
}

/* ---- iteration ------------------------------------------------------------------------------------------------------------------------------ */

int PyIter_Check(PyObject *o) { return Py_TYPE(o)->tp_iternext && Py_TYPE(o)->tp_iternext != _PyObject_NextNotImplemented; }

PyObject *PyObject_GetIter(PyObject *o)
{
    getiterfunc function = Py_TYPE(o)->tp_iter;
    if (UNLIKELY(!function)) {
        if (PySequence_Check(o)) return PySeqIter_New(o);
        return abstract_type_error("'%.200s' object is not iterable", o);
    }
    PyObject *it = function(o);
    if (UNLIKELY(it && !PyIter_Check(it))) {
        PyErr_Format(PyExc_TypeError, "iter() returned non-iterator of type '%.100s'", Py_TYPE(it)->tp_name);
        Py_CLEAR(it);
    }
    return it;
}

int PyAIter_Check(PyObject *o)
{
    PyAsyncMethods *m = Py_TYPE(o)->tp_as_async;
    return m && m->am_anext && m->am_anext != _PyObject_NextNotImplemented;
}

PyObject *PyObject_GetAIter(PyObject *o)
{
    PyAsyncMethods *m = Py_TYPE(o)->tp_as_async;
    if (!m || !m->am_aiter) return abstract_type_error("'%.200s' object is not an async iterable", o);
    PyObject *it = m->am_aiter(o);
    if (it && !PyAIter_Check(it)) {
        PyErr_Format(PyExc_TypeError, "aiter() returned not an async iterator of type '%.100s'", Py_TYPE(it)->tp_name);
        Py_CLEAR(it);
    }
    return it;
}

PyObject *PyIter_Next(PyObject *it)
{
    if (stack_check() < 0) return NULL;
    PyObject *result = Py_TYPE(it)->tp_iternext(it);
    if (!result && PyErr_Occurred() && PyErr_ExceptionMatches(PyExc_StopIteration)) PyErr_Clear();
    return result;
}

/* The value of the StopIteration that is set, which it clears; None when no exception is set. -1: another exception. */
static int stop_iteration_value(PyObject **value)
{
    if (!PyErr_Occurred()) {
        *value = Py_NewRef(Py_None);
        return 0;
    }
    if (!PyErr_ExceptionMatches(PyExc_StopIteration)) return -1;
    PyObject *exception = PyErr_GetRaisedException();
    PyObject *v = ((PyStopIterationObject *)exception)->value;
    *value = Py_NewRef(v ? v : Py_None);
    Py_DECREF(exception);
    return 0;
}

PySendResult PyIter_Send(PyObject *it, PyObject *arg, PyObject **result)
{
    PyAsyncMethods *m = Py_TYPE(it)->tp_as_async;
    if (m && m->am_send) {
        PySendResult status = m->am_send(it, arg, result);
        assert(status == PYGEN_ERROR ? !*result : *result != NULL);
        return status;
    }
    if (arg == Py_None && PyIter_Check(it)) *result = Py_TYPE(it)->tp_iternext(it);
    else *result = PyObject_CallMethodOneArg(it, STR(send), arg);
    if (*result) return PYGEN_NEXT;
    return stop_iteration_value(result) == 0 ? PYGEN_RETURN : PYGEN_ERROR;
}

/* ---- isinstance, issubclass ------------------------------------------------------------------------------------------------------------------ */

/* The tuple __bases__ of any object: new reference, or NULL, without exception when it has none. */
static PyObject *abstract_bases(PyObject *cls)
{
    PyObject *bases;
    if (PyObject_GetOptionalAttr(cls, STR(__bases__), &bases) < 0) return NULL;
    if (bases && !PyTuple_Check(bases)) Py_CLEAR(bases);
    return bases;
}

static int abstract_is_subclass(PyObject *derived, PyObject *cls)
{
    PyObject *bases = NULL;
    int result = 0;
    for (;;) {
        if (derived == cls) {
            result = 1;
            break;
        }
        Py_XSETREF(bases, abstract_bases(derived));          /* derived lives in the old tuple until here */
        if (!bases) return PyErr_Occurred() ? -1 : 0;
        Py_ssize_t n = PyTuple_GET_SIZE(bases);
        if (n == 0) break;
        if (n == 1) {                                        /* no recursion for single inheritance */
            derived = PyTuple_GET_ITEM(bases, 0);
            continue;
        }
        if (Py_EnterRecursiveCall(" in __issubclass__")) {
            result = -1;
            break;
        }
        for (Py_ssize_t i = 0; i < n && !result; i++) result = abstract_is_subclass(PyTuple_GET_ITEM(bases, i), cls);
        Py_LeaveRecursiveCall();
        break;
    }
    Py_XDECREF(bases);
    return result;
}

/* TypeError with that message when cls has no __bases__. */
static int require_class(PyObject *cls, const char *message)
{
    PyObject *bases = abstract_bases(cls);
    if (bases) {
        Py_DECREF(bases);
        return 0;
    }
    if (!PyErr_Occurred()) PyErr_SetString(PyExc_TypeError, message);
    return -1;
}

static int default_is_instance(PyObject *o, PyObject *cls)
{
    PyObject *actual;
    int result = 0;
    if (PyType_Check(cls)) {
        if (PyObject_TypeCheck(o, (PyTypeObject *)cls)) return 1;
        if (PyObject_GetOptionalAttr(o, STR(__class__), &actual) < 0) return -1;
        if (actual && actual != OBJECT(Py_TYPE(o)) && PyType_Check(actual))
            result = PyType_IsSubtype((PyTypeObject *)actual, (PyTypeObject *)cls);
    }
    else {
        if (require_class(cls, "isinstance() arg 2 must be a type, a tuple of types, or a union") < 0) return -1;
        if (PyObject_GetOptionalAttr(o, STR(__class__), &actual) < 0) return -1;
        if (actual) result = abstract_is_subclass(actual, cls);
    }
    Py_XDECREF(actual);
    return result;
}

static int default_is_subclass(PyObject *derived, PyObject *cls)
{
    if (PyType_Check(cls) && PyType_Check(derived)) return PyType_IsSubtype((PyTypeObject *)derived, (PyTypeObject *)cls);
    if (require_class(derived, "issubclass() arg 1 must be a class") < 0) return -1;
    if (require_class(cls, "issubclass() arg 2 must be a class, a tuple of classes, or a union") < 0) return -1;
    return abstract_is_subclass(derived, cls);
}

PyAPI_FUNC(int) _PyObject_RealIsInstance(PyObject *o, PyObject *cls);
PyAPI_FUNC(int) _PyObject_RealIsSubclass(PyObject *derived, PyObject *cls);
int _PyObject_RealIsInstance(PyObject *o, PyObject *cls) { return default_is_instance(o, cls); }       /* type.__instancecheck__ */
int _PyObject_RealIsSubclass(PyObject *derived, PyObject *cls) { return default_is_subclass(derived, cls); }

/* The classes of a tuple, or of a union of types; NULL for anything else. Borrowed. */
static PyObject *alternatives(PyObject *cls, PyObject **owned)
{
    *owned = NULL;
    if (PyTuple_Check(cls)) return cls;
    if (PyType_Check(cls) || Py_TYPE(cls) != &_PyUnion_Type) return NULL;
    return *owned = PyObject_GetAttr(cls, STR(__args__));
}

typedef int IsA(PyObject *o, PyObject *cls);

static int is_a(PyObject *o, PyObject *cls, PyObject *method_name, IsA *again, IsA *by_default, const char *where)
{
    PyObject *owned, *classes = alternatives(cls, &owned);
    int result = 0;
    if (classes) {
        if (Py_EnterRecursiveCall(where)) result = -1;
        else {
            for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(classes) && !result; i++) result = again(o, PyTuple_GET_ITEM(classes, i));
            Py_LeaveRecursiveCall();
        }
        Py_XDECREF(owned);
        return result;
    }
    PyObject *checker = PyErr_Occurred() ? NULL : abstract_lookup_special(cls, method_name);
    if (!checker) return PyErr_Occurred() ? -1 : by_default(o, cls);
    if (Py_EnterRecursiveCall(where)) {
        Py_DECREF(checker);
        return -1;
    }
    PyObject *answer = PyObject_CallOneArg(checker, o);
    Py_LeaveRecursiveCall();
    Py_DECREF(checker);
    if (!answer) return -1;
    result = PyObject_IsTrue(answer);
    Py_DECREF(answer);
    return result;
}

int PyObject_IsInstance(PyObject *o, PyObject *cls)
{
    if (Py_IS_TYPE(o, (PyTypeObject *)cls)) return 1;
    if (PyType_CheckExact(cls)) return default_is_instance(o, cls);
    return is_a(o, cls, STR(__instancecheck__), PyObject_IsInstance, default_is_instance, " in __instancecheck__");
}

int PyObject_IsSubclass(PyObject *derived, PyObject *cls)
{
    if (PyType_CheckExact(cls)) return derived == cls ? 1 : default_is_subclass(derived, cls);
    return is_a(derived, cls, STR(__subclasscheck__), PyObject_IsSubclass, default_is_subclass, " in __subclasscheck__");
}
