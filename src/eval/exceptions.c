/* raise, except, except*, with: what their instructions call. */
#include "eval/eval_private.h"
#include "objects/type.h"

int eval_raise(PyThreadState *ts, PyObject *exc, PyObject *cause)
{
    PyObject *value = NULL;
    if (!exc) {                                             /* a bare raise: whatever is being handled */
        PyObject *handled = PyErr_GetHandledException();
        if (!handled) {
            PyErr_SetString(PyExc_RuntimeError, "No active exception to reraise");
            return 0;
        }
        PyErr_SetRaisedException(handled);
        return 1;
    }
    if (PyExceptionClass_Check(exc)) {
        value = PyObject_CallNoArgs(exc);
        if (!value) goto fail;
        if (!PyExceptionInstance_Check(value)) {
            PyErr_Format(PyExc_TypeError, "calling %R should have returned an instance of BaseException, not %R", exc, Py_TYPE(value));
            goto fail;
        }
        Py_DECREF(exc);
    }
    else if (PyExceptionInstance_Check(exc)) value = exc;
    else {
        PyErr_SetString(PyExc_TypeError, "exceptions must derive from BaseException");
        goto fail;
    }
    exc = NULL;
    if (cause) {
        PyObject *fixed;
        if (PyExceptionClass_Check(cause)) {
            fixed = PyObject_CallNoArgs(cause);
            if (!fixed) goto fail;
            if (!PyExceptionInstance_Check(fixed)) {
                PyErr_Format(PyExc_TypeError, "calling %R should have returned an instance of BaseException, not %R", cause,
                             Py_TYPE(fixed));
                Py_DECREF(fixed);
                goto fail;
            }
            Py_DECREF(cause);
        }
        else if (PyExceptionInstance_Check(cause)) fixed = cause;
        else if (cause == Py_None) {
            Py_DECREF(cause);
            fixed = NULL;
        }
        else {
            PyErr_SetString(PyExc_TypeError, "exception causes must derive from BaseException");
            goto fail;
        }
        cause = NULL;
        PyException_SetCause(value, fixed);
    }
    PyErr_SetObject((PyObject *)Py_TYPE(value), value);
    Py_DECREF(value);
    return 0;
fail:
    Py_XDECREF(value);
    Py_XDECREF(exc);
    Py_XDECREF(cause);
    return 0;
}

static const char catch_message[] = "catching classes that do not inherit from BaseException is not allowed";

int eval_check_except_type(PyThreadState *ts, PyObject *type)
{
    if (PyTuple_Check(type)) {
        for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(type); i++)
            if (!PyExceptionClass_Check(PyTuple_GET_ITEM(type, i))) {
                PyErr_SetString(PyExc_TypeError, catch_message);
                return -1;
            }
        return 0;
    }
    if (PyExceptionClass_Check(type)) return 0;
    PyErr_SetString(PyExc_TypeError, catch_message);
    return -1;
}

int eval_check_except_star_type(PyThreadState *ts, PyObject *type)
{
    if (eval_check_except_type(ts, type) < 0) return -1;
    int bad = 0;
    if (PyTuple_Check(type)) {
        for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(type) && !bad; i++)
            bad = PyObject_IsSubclass(PyTuple_GET_ITEM(type, i), PyExc_BaseExceptionGroup);
    }
    else bad = PyObject_IsSubclass(type, PyExc_BaseExceptionGroup);
    if (bad > 0) PyErr_SetString(PyExc_TypeError, "catching ExceptionGroup with except* is not allowed. Use except instead.");
    return bad ? -1 : 0;
}

/* Splits exc: NEW *match and *rest, either may be None. */
int eval_group_match(PyObject *exc, PyObject *type, PyObject **match, PyObject **rest)
{
    if (exc == Py_None) {
        *match = Py_NewRef(Py_None);
        *rest = Py_NewRef(Py_None);
        return 0;
    }
    if (PyErr_GivenExceptionMatches(exc, type)) {
        bool group = PyObject_TypeCheck(exc, (PyTypeObject *)PyExc_BaseExceptionGroup);
        if (group) *match = Py_NewRef(exc);
        else {
            PyObject *excs = PyTuple_Pack(1, exc);
            if (!excs) return -1;
            PyObject *wrapped = PyObject_CallFunction(PyExc_BaseExceptionGroup, "sO", "", excs);
            Py_DECREF(excs);
            if (!wrapped) return -1;
            PyFrameObject *frame = PyEval_GetFrame();
            if (frame) {
                PyObject *saved = PyErr_GetRaisedException();
                PyErr_SetRaisedException(Py_NewRef(wrapped));      /* without a context */
                PyTraceBack_Here(frame);
                PyObject *raised = PyErr_GetRaisedException();
                Py_XDECREF(raised);
                PyErr_SetRaisedException(saved);
            }
            *match = wrapped;
        }
        *rest = Py_NewRef(Py_None);
        return 0;
    }
    if (PyObject_TypeCheck(exc, (PyTypeObject *)PyExc_BaseExceptionGroup)) {
        PyObject *pair = PyObject_CallMethod(exc, "split", "(O)", type);
        if (!pair) return -1;
        if (!PyTuple_CheckExact(pair)) {
            PyErr_Format(PyExc_TypeError, "%.200s.split must return a tuple, not %.200s", Py_TYPE(exc)->tp_name, Py_TYPE(pair)->tp_name);
            Py_DECREF(pair);
            return -1;
        }
        if (PyTuple_GET_SIZE(pair) < 2) {
            PyErr_Format(PyExc_TypeError, "%.200s.split must return a 2-tuple, got tuple of size %zd", Py_TYPE(exc)->tp_name,
                         PyTuple_GET_SIZE(pair));
            Py_DECREF(pair);
            return -1;
        }
        *match = Py_NewRef(PyTuple_GET_ITEM(pair, 0));
        *rest = Py_NewRef(PyTuple_GET_ITEM(pair, 1));
        Py_DECREF(pair);
        return 0;
    }
    *match = Py_NewRef(Py_None);
    *rest = Py_NewRef(exc);
    return 0;
}

PyObject *eval_special(PyObject *o, PyObject *name, const char *format)
{
    PyObject *v = type_lookup_special_bound(o, name);
    if (!v && !PyErr_Occurred()) PyErr_Format(PyExc_TypeError, format, Py_TYPE(o)->tp_name);
    return v;
}
