/* CALL_INTRINSIC_1 and CALL_INTRINSIC_2. Arguments are borrowed, results new. */
#include "eval/eval_private.h"
#include "objects/typing.h"

static PyObject *invalid_1(PyThreadState *ts, PyObject *v)
{
    PyErr_SetString(PyExc_SystemError, "invalid intrinsic function");
    return NULL;
}

static PyObject *invalid_2(PyThreadState *ts, PyObject *a, PyObject *b) { return invalid_1(ts, a); }

/* What an expression gave at the prompt. */
static PyObject *print_expression(PyThreadState *ts, PyObject *v)
{
    PyObject *hook = PySys_GetObject("displayhook");
    if (!hook) {
        PyErr_SetString(PyExc_RuntimeError, "lost sys.displayhook");
        return NULL;
    }
    Py_INCREF(hook);
    PyObject *r = PyObject_CallOneArg(hook, v);
    Py_DECREF(hook);
    return r;
}

static PyObject *import_star(PyThreadState *ts, PyObject *module) { return invalid_1(ts, module); }    /* the loop does it */

/* A generator must not let StopIteration out (PEP 479); returns what it raises instead. */
static PyObject *stopiteration_error(PyThreadState *ts, PyObject *exc)
{
    PyCodeObject *co = frame_code(ts->current_frame);
    const char *message = NULL;
    if (PyErr_GivenExceptionMatches(exc, PyExc_StopIteration)) {
        if (co->co_flags & CO_ASYNC_GENERATOR) message = "async generator raised StopIteration";
        else if (co->co_flags & CO_COROUTINE) message = "coroutine raised StopIteration";
        else message = "generator raised StopIteration";
    }
    else if (co->co_flags & CO_ASYNC_GENERATOR && PyErr_GivenExceptionMatches(exc, PyExc_StopAsyncIteration))
        message = "async generator raised StopAsyncIteration";
    if (!message) return Py_NewRef(exc);
    PyObject *text = PyUnicode_FromString(message), *error = text ? PyObject_CallOneArg(PyExc_RuntimeError, text) : NULL;
    Py_XDECREF(text);
    if (error) {
        PyException_SetCause(error, Py_NewRef(exc));
        PyException_SetContext(error, Py_NewRef(exc));
    }
    return error;
}

static PyObject *async_gen_wrap(PyThreadState *ts, PyObject *v) { return asyncgen_wrap(Py_NewRef(v)); }
static PyObject *unary_positive(PyThreadState *ts, PyObject *v) { return PyNumber_Positive(v); }
static PyObject *list_to_tuple(PyThreadState *ts, PyObject *v) { return PyList_AsTuple(v); }
static PyObject *make_typevar(PyThreadState *ts, PyObject *name) { return typing_make_typevar(name, NULL, NULL); }
static PyObject *make_paramspec(PyThreadState *ts, PyObject *name) { return typing_make_paramspec(name); }
static PyObject *make_typevartuple(PyThreadState *ts, PyObject *name) { return typing_make_typevartuple(name); }
static PyObject *subscript_generic(PyThreadState *ts, PyObject *params) { return typing_subscript_generic(params); }
static PyObject *make_typealias(PyThreadState *ts, PyObject *parts) { return typing_make_typealias(parts); }

const Intrinsic1 eval_intrinsics_1[INTRINSIC_1_COUNT] = {
    [INTRINSIC_1_INVALID] = invalid_1, [INTRINSIC_PRINT] = print_expression, [INTRINSIC_IMPORT_STAR] = import_star,
    [INTRINSIC_STOPITERATION_ERROR] = stopiteration_error, [INTRINSIC_ASYNC_GEN_WRAP] = async_gen_wrap,
    [INTRINSIC_UNARY_POSITIVE] = unary_positive, [INTRINSIC_LIST_TO_TUPLE] = list_to_tuple, [INTRINSIC_TYPEVAR] = make_typevar,
    [INTRINSIC_PARAMSPEC] = make_paramspec, [INTRINSIC_TYPEVARTUPLE] = make_typevartuple,
    [INTRINSIC_SUBSCRIPT_GENERIC] = subscript_generic, [INTRINSIC_TYPEALIAS] = make_typealias,
};

static PyObject *prep_reraise_star(PyThreadState *ts, PyObject *original, PyObject *excs)
{
    return PyUnstable_Exc_PrepReraiseStar(original, excs);
}
static PyObject *typevar_with_bound(PyThreadState *ts, PyObject *name, PyObject *bound) { return typing_make_typevar(name, bound, NULL); }
static PyObject *typevar_with_constraints(PyThreadState *ts, PyObject *name, PyObject *constraints)
{
    return typing_make_typevar(name, NULL, constraints);
}
static PyObject *set_function_type_params(PyThreadState *ts, PyObject *func, PyObject *params)
{
    Py_XSETREF(((PyFunctionObject *)func)->func_typeparams, Py_NewRef(params));
    return Py_NewRef(func);
}
static PyObject *set_typeparam_default(PyThreadState *ts, PyObject *param, PyObject *value)
{
    return typing_set_default(param, value);
}

const Intrinsic2 eval_intrinsics_2[INTRINSIC_2_COUNT] = {
    [INTRINSIC_2_INVALID] = invalid_2, [INTRINSIC_PREP_RERAISE_STAR] = prep_reraise_star,
    [INTRINSIC_TYPEVAR_WITH_BOUND] = typevar_with_bound, [INTRINSIC_TYPEVAR_WITH_CONSTRAINTS] = typevar_with_constraints,
    [INTRINSIC_SET_FUNCTION_TYPE_PARAMS] = set_function_type_params, [INTRINSIC_SET_TYPEPARAM_DEFAULT] = set_typeparam_default,
};
