/* Operators, unpacking and the errors of f(*args, **kwargs). */
#include "eval/eval_private.h"
#include "objects/float.h"
#include "objects/long.h"

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

/* The value of an exact float or of a compact exact int. */
static ALWAYS_INLINE bool as_double(PyObject *o, double *value)
{
    if (PyFloat_CheckExact(o)) *value = FLOAT_VALUE(o);
    else if (PyLong_CheckExact(o) && long_is_compact(LONG(o))) *value = (double)long_compact_value(LONG(o));
    else return false;
    return true;
}

/* Compact ints. False: not done (zero divisors, large shifts, powers). */
static bool int_operation(unsigned operation, int64_t x, int64_t y, int64_t *result)
{
    switch (operation) {
    case NB_ADD: case NB_INPLACE_ADD: *result = x + y; return true;
    case NB_SUBTRACT: case NB_INPLACE_SUBTRACT: *result = x - y; return true;
    case NB_MULTIPLY: case NB_INPLACE_MULTIPLY: *result = x * y; return true;
    case NB_AND: case NB_INPLACE_AND: *result = x & y; return true;
    case NB_OR: case NB_INPLACE_OR: *result = x | y; return true;
    case NB_XOR: case NB_INPLACE_XOR: *result = x ^ y; return true;
    case NB_RSHIFT: case NB_INPLACE_RSHIFT:
        *result = x >> (y & 63);
        return (uint64_t)y < 64;
    case NB_LSHIFT: case NB_INPLACE_LSHIFT:
        *result = (int64_t)((uint64_t)x << (y & 63));
        return (uint64_t)y < 32;
    case NB_FLOOR_DIVIDE: case NB_INPLACE_FLOOR_DIVIDE:
        if (y == 0) return false;
        *result = (int32_t)x / (int32_t)y - ((int32_t)x % (int32_t)y != 0 && (x ^ y) < 0);
        return true;
    case NB_REMAINDER: case NB_INPLACE_REMAINDER: {
        if (y == 0) return false;
        int64_t r = (int32_t)x % (int32_t)y;
        *result = r != 0 && (r ^ y) < 0 ? r + y : r;
        return true;
    }
    default: return false;
    }
}

/* Any operator on any two objects: what BINARY_OP does when no specialised form fits. Operations of two numbers that the specialised
 * forms leave out (int with float, division, bits) are done here without asking the types. */
PyObject *eval_binary_op(PyThreadState *ts, unsigned operation, PyObject *a, PyObject *b)
{
    double x, y;
    if (as_double(a, &x) && as_double(b, &y)) {
        if (PyLong_CheckExact(a) && PyLong_CheckExact(b) && operation != NB_TRUE_DIVIDE && operation != NB_INPLACE_TRUE_DIVIDE) {
            int64_t result;
            if (int_operation(operation, long_compact_value(LONG(a)), long_compact_value(LONG(b)), &result))
                return long_from_i64((Thread *)ts, result);
        }
        else switch (operation) {
        case NB_ADD: case NB_INPLACE_ADD: return float_new((Thread *)ts, x + y);
        case NB_SUBTRACT: case NB_INPLACE_SUBTRACT: return float_new((Thread *)ts, x - y);
        case NB_MULTIPLY: case NB_INPLACE_MULTIPLY: return float_new((Thread *)ts, x * y);
        case NB_TRUE_DIVIDE: case NB_INPLACE_TRUE_DIVIDE:
            if (y != 0.0) return float_new((Thread *)ts, x / y);
            break;
        }
    }
    return eval_binary_ops[operation](a, b);
}

/* Writes the items below top, the first one highest. With after < 0 there is no starred target; otherwise a list of what is
 * between `before` and `after` items. */
int eval_unpack(PyThreadState *ts, PyObject *seq, int before, int after, PyObject **top)
{
    PyObject *it, **at = top, *list = NULL;
    if (after >= 0 && (PyTuple_CheckExact(seq) || PyList_CheckExact(seq)) && PySequence_Fast_GET_SIZE(seq) >= (Py_ssize_t)before + after) {
        PyObject **items = PySequence_Fast_ITEMS(seq);
        Py_ssize_t rest = PySequence_Fast_GET_SIZE(seq) - before - after;
        if (!(list = PyList_New(rest))) return -1;
        for (Py_ssize_t i = 0; i < rest; i++) PyList_SET_ITEM(list, i, Py_NewRef(items[before + i]));
        for (int i = 0; i < before; i++) *--at = Py_NewRef(*items++);
        *--at = list;
        for (items += rest; after > 0; after--) *--at = Py_NewRef(*items++);
        return 0;
    }
    if (!(it = PyObject_GetIter(seq))) {
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
