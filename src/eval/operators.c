/* Operators, unpacking and the errors of f(*args, **kwargs). */
#include "eval/eval_private.h"

static PyObject *power(PyObject *a, PyObject *b) { return PyNumber_Power(a, b, Py_None); }
static PyObject *inplace_power(PyObject *a, PyObject *b) { return PyNumber_InPlacePower(a, b, Py_None); }

const binaryfunc eval_binary_ops[26] = {
    [NB_ADD] = PyNumber_Add, [NB_AND] = PyNumber_And, [NB_FLOOR_DIVIDE] = PyNumber_FloorDivide, [NB_LSHIFT] = PyNumber_Lshift,
    [NB_MATRIX_MULTIPLY] = PyNumber_MatrixMultiply, [NB_MULTIPLY] = PyNumber_Multiply, [NB_REMAINDER] = PyNumber_Remainder,
    [NB_OR] = PyNumber_Or, [NB_POWER] = power, [NB_RSHIFT] = PyNumber_Rshift, [NB_SUBTRACT] = PyNumber_Subtract,
    [NB_TRUE_DIVIDE] = PyNumber_TrueDivide, [NB_XOR] = PyNumber_Xor, [NB_INPLACE_ADD] = PyNumber_InPlaceAdd,
    [NB_INPLACE_AND] = PyNumber_InPlaceAnd, [NB_INPLACE_FLOOR_DIVIDE] = PyNumber_InPlaceFloorDivide,
    [NB_INPLACE_LSHIFT] = PyNumber_InPlaceLshift, [NB_INPLACE_MATRIX_MULTIPLY] = PyNumber_InPlaceMatrixMultiply,
    [NB_INPLACE_MULTIPLY] = PyNumber_InPlaceMultiply, [NB_INPLACE_REMAINDER] = PyNumber_InPlaceRemainder,
    [NB_INPLACE_OR] = PyNumber_InPlaceOr, [NB_INPLACE_POWER] = inplace_power, [NB_INPLACE_RSHIFT] = PyNumber_InPlaceRshift,
    [NB_INPLACE_SUBTRACT] = PyNumber_InPlaceSubtract, [NB_INPLACE_TRUE_DIVIDE] = PyNumber_InPlaceTrueDivide,
    [NB_INPLACE_XOR] = PyNumber_InPlaceXor,
};

/* Writes the items below top, the first one highest. With after < 0 there is no starred target; otherwise a list of what is
 * between `before` and `after` items. */
int eval_unpack(PyThreadState *ts, PyObject *seq, int before, int after, PyObject **top)
{
    PyObject *it = PyObject_GetIter(seq), **at = top, *list = NULL;
    if (!it) {
        if (PyErr_ExceptionMatches(PyExc_TypeError) && !Py_TYPE(seq)->tp_iter && !PySequence_Check(seq))
            PyErr_Format(PyExc_TypeError, "cannot unpack non-iterable %.200s object", Py_TYPE(seq)->tp_name);
        return -1;
    }
    for (int i = 0; i < before; i++) {
        PyObject *v = PyIter_Next(it);
        if (!v) {
            if (!PyErr_Occurred()) {
                if (after < 0) PyErr_Format(PyExc_ValueError, "not enough values to unpack (expected %d, got %d)", before, i);
                else PyErr_Format(PyExc_ValueError, "not enough values to unpack (expected at least %d, got %d)", before + after, i);
            }
            goto fail;
        }
        *--at = v;
    }
    if (after < 0) {
        PyObject *v = PyIter_Next(it);
        if (!v) {
            if (PyErr_Occurred()) goto fail;
            Py_DECREF(it);
            return 0;
        }
        Py_DECREF(v);
        PyErr_Format(PyExc_ValueError, "too many values to unpack (expected %d)", before);
        goto fail;
    }
    if (!(list = PySequence_List(it))) goto fail;
    Py_ssize_t n = PyList_GET_SIZE(list);
    if (n < after) {
        PyErr_Format(PyExc_ValueError, "not enough values to unpack (expected at least %d, got %zd)", before + after, before + n);
        Py_DECREF(list);
        goto fail;
    }
    *--at = list;
    for (int i = after; i > 0; i--) *--at = PyList_GET_ITEM(list, n - i);
    Py_SET_SIZE(list, n - after);
    Py_DECREF(it);
    return 0;
fail:
    for (; at < top; at++) Py_DECREF(*at);
    Py_DECREF(it);
    return -1;
}

int eval_check_args_iterable(PyThreadState *ts, PyObject *func, PyObject *args)
{
    if (Py_TYPE(args)->tp_iter || PySequence_Check(args)) return 0;
    PyErr_Clear();
    PyObject *name = _PyObject_FunctionStr(func);
    if (name) {
        PyErr_Format(PyExc_TypeError, "%U argument after * must be an iterable, not %.200s", name, Py_TYPE(args)->tp_name);
        Py_DECREF(name);
    }
    return -1;
}

/* After a failed merge into the keyword arguments of func. */
void eval_format_kwargs_error(PyThreadState *ts, PyObject *func, PyObject *kwargs)
{
    if (PyErr_ExceptionMatches(PyExc_AttributeError)) {
        PyErr_Clear();
        PyObject *name = _PyObject_FunctionStr(func);
        if (name) {
            PyErr_Format(PyExc_TypeError, "%U argument after ** must be a mapping, not %.200s", name, Py_TYPE(kwargs)->tp_name);
            Py_DECREF(name);
        }
    }
    else if (PyErr_ExceptionMatches(PyExc_KeyError)) {
        PyObject *exc = PyErr_GetRaisedException(), *args = PyException_GetArgs(exc);
        if (args && PyTuple_Check(args) && PyTuple_GET_SIZE(args) == 1) {
            PyObject *key = PyTuple_GET_ITEM(args, 0), *name = _PyObject_FunctionStr(func);
            if (name) {
                PyErr_Format(PyExc_TypeError, "%U got multiple values for keyword argument '%S'", name, key);
                Py_DECREF(name);
            }
            Py_XDECREF(args);
            Py_DECREF(exc);
            return;
        }
        Py_XDECREF(args);
        PyErr_SetRaisedException(exc);
    }
}

static int slice_index(PyObject *v, Py_ssize_t *out, const char *complaint)
{
    if (!PyIndex_Check(v)) {
        PyErr_SetString(PyExc_TypeError, complaint);
        return 0;
    }
    Py_ssize_t x = PyNumber_AsSsize_t(v, NULL);
    if (x == -1 && PyErr_Occurred()) return 0;
    *out = x;
    return 1;
}

int _PyEval_SliceIndex(PyObject *v, Py_ssize_t *out)
{
    return v == Py_None || slice_index(v, out, "slice indices must be integers or None or have an __index__ method");
}

int _PyEval_SliceIndexNotNone(PyObject *v, Py_ssize_t *out)
{
    return slice_index(v, out, "slice indices must be integers or have an __index__ method");
}
