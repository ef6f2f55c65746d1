/* _operator: the operators as functions. The callables itemgetter, attrgetter and methodcaller are in _operator_getters.c. */
#include "modules/_operator.h"

#define BINARY(name, shown, function)                                                     \
    BUILTIN(operator, name, POSITIONAL, "($module, a, b, /)", "Same as " shown ".")       \
    {                                                                                     \
        return function(arg[0], arg[1]);                                                  \
    }
#define UNARY(name, shown, function) \
    BUILTIN_O(operator, name, "($module, a, /)", "Same as " shown ".") { return function(arg); }
#define COMPARISON(name, shown, op)                                                       \
    BUILTIN(operator, name, POSITIONAL, "($module, a, b, /)", "Same as " shown ".")       \
    {                                                                                     \
        return PyObject_RichCompare(arg[0], arg[1], op);                                  \
    }

BINARY(add, "a + b", PyNumber_Add)
BINARY(sub, "a - b", PyNumber_Subtract)
BINARY(mul, "a * b", PyNumber_Multiply)
BINARY(matmul, "a @ b", PyNumber_MatrixMultiply)
BINARY(floordiv, "a // b", PyNumber_FloorDivide)
BINARY(truediv, "a / b", PyNumber_TrueDivide)
BINARY(mod, "a % b", PyNumber_Remainder)
BINARY(lshift, "a << b", PyNumber_Lshift)
BINARY(rshift, "a >> b", PyNumber_Rshift)
BINARY(and_, "a & b", PyNumber_And)
BINARY(xor, "a ^ b", PyNumber_Xor)
BINARY(or_, "a | b", PyNumber_Or)
BINARY(iadd, "a += b", PyNumber_InPlaceAdd)
BINARY(isub, "a -= b", PyNumber_InPlaceSubtract)
BINARY(imul, "a *= b", PyNumber_InPlaceMultiply)
BINARY(imatmul, "a @= b", PyNumber_InPlaceMatrixMultiply)
BINARY(ifloordiv, "a //= b", PyNumber_InPlaceFloorDivide)
BINARY(itruediv, "a /= b", PyNumber_InPlaceTrueDivide)
BINARY(imod, "a %= b", PyNumber_InPlaceRemainder)
BINARY(ilshift, "a <<= b", PyNumber_InPlaceLshift)
BINARY(irshift, "a >>= b", PyNumber_InPlaceRshift)
BINARY(iand, "a &= b", PyNumber_InPlaceAnd)
BINARY(ixor, "a ^= b", PyNumber_InPlaceXor)
BINARY(ior, "a |= b", PyNumber_InPlaceOr)
BINARY(concat, "a + b, for a and b sequences", PySequence_Concat)
BINARY(iconcat, "a += b, for a and b sequences", PySequence_InPlaceConcat)
BINARY(getitem, "a[b]", PyObject_GetItem)
UNARY(neg, "-a", PyNumber_Negative)
UNARY(pos, "+a", PyNumber_Positive)
UNARY(abs, "abs(a)", PyNumber_Absolute)
UNARY(inv, "~a", PyNumber_Invert)
UNARY(invert, "~a", PyNumber_Invert)
UNARY(index, "a.__index__()", PyNumber_Index)
COMPARISON(eq, "a == b", Py_EQ)
COMPARISON(ne, "a != b", Py_NE)
COMPARISON(lt, "a < b", Py_LT)
COMPARISON(le, "a <= b", Py_LE)
COMPARISON(gt, "a > b", Py_GT)
COMPARISON(ge, "a >= b", Py_GE)

BUILTIN(operator, pow, POSITIONAL, "($module, a, b, /)", "Same as a ** b.") { return PyNumber_Power(arg[0], arg[1], Py_None); }
BUILTIN(operator, ipow, POSITIONAL, "($module, a, b, /)", "Same as a **= b.") { return PyNumber_InPlacePower(arg[0], arg[1], Py_None); }

BUILTIN_O(operator, truth, "($module, a, /)", "Return True if a is true, False otherwise.")
{
    int truth = PyObject_IsTrue(arg);
    return truth < 0 ? NULL : PyBool_FromLong(truth);
}

BUILTIN_O(operator, not_, "($module, a, /)", "Same as not a.")
{
    int truth = PyObject_IsTrue(arg);
    return truth < 0 ? NULL : PyBool_FromLong(!truth);
}

BUILTIN(operator, is_, POSITIONAL, "($module, a, b, /)", "Same as a is b.") { return PyBool_FromLong(arg[0] == arg[1]); }
BUILTIN(operator, is_not, POSITIONAL, "($module, a, b, /)", "Same as a is not b.") { return PyBool_FromLong(arg[0] != arg[1]); }

BUILTIN(operator, contains, POSITIONAL, "($module, a, b, /)", "Same as b in a (note reversed operands).")
{
    int found = PySequence_Contains(arg[0], arg[1]);
    return found < 0 ? NULL : PyBool_FromLong(found);
}

BUILTIN(operator, indexOf, POSITIONAL, "($module, a, b, /)", "Return the first index of b in a.")
{
    Py_ssize_t i = PySequence_Index(arg[0], arg[1]);
    return i < 0 ? NULL : PyLong_FromSsize_t(i);
}

BUILTIN(operator, countOf, POSITIONAL, "($module, a, b, /)", "Return the number of items in a which are, or which equal, b.")
{
    Py_ssize_t n = PySequence_Count(arg[0], arg[1]);
    return n < 0 ? NULL : PyLong_FromSsize_t(n);
}

BUILTIN(operator, setitem, POSITIONAL, "($module, a, b, c, /)", "Same as a[b] = c.")
{
    return PyObject_SetItem(arg[0], arg[1], arg[2]) < 0 ? NULL : Py_NewRef(Py_None);
}

BUILTIN(operator, delitem, POSITIONAL, "($module, a, b, /)", "Same as del a[b].")
{
    return PyObject_DelItem(arg[0], arg[1]) < 0 ? NULL : Py_NewRef(Py_None);
}

BUILTIN(operator, length_hint, POSITIONAL, "($module, obj, default=0, /)",
        "Return an estimate of the number of items in obj: its length, its __length_hint__(), or default.")
{
    Py_ssize_t fallback = 0;
    if (arg[1]) {
        PyObject *index = PyNumber_Index(arg[1]);
        if (!index) return NULL;
        fallback = PyLong_AsSsize_t(index);
        Py_DECREF(index);
        if (fallback == -1 && PyErr_Occurred()) return NULL;
    }
    Py_ssize_t hint = PyObject_LengthHint(arg[0], fallback);
    return hint == -1 && PyErr_Occurred() ? NULL : PyLong_FromSsize_t(hint);
}

BUILTIN_RAW(operator, call, "($module, obj, /, *args, **kwargs)", "Same as obj(*args, **kwargs).")
{
    if (nargs == 0) {
        PyErr_SetString(PyExc_TypeError, "call expected at least 1 argument, got 0");
        return NULL;
    }
    return PyObject_Vectorcall(args[0], args + 1, (size_t)(nargs - 1) | PY_VECTORCALL_ARGUMENTS_OFFSET, kwnames);
}

/* Compares all of b with a, whatever differs, so that the time says nothing about the contents. */
static int equal_in_constant_time(const unsigned char *a, Py_ssize_t n_a, const unsigned char *b, Py_ssize_t n_b)
{
    volatile unsigned char difference = n_a != n_b;
    const volatile unsigned char *left = n_a == n_b ? a : b, *right = b;
    for (Py_ssize_t i = 0; i < n_b; i++) difference |= (unsigned char)(left[i] ^ right[i]);
    return difference == 0;
}

BUILTIN(operator, _compare_digest, POSITIONAL, "($module, a, b, /)",
        "Return 'a == b', taking a time that does not depend on the contents.\n\nBoth must be bytes-like, or str of ASCII characters.")
{
    PyObject *a = arg[0], *b = arg[1];
    Py_buffer x, y;
    int same;
    if (PyUnicode_Check(a) && PyUnicode_Check(b)) {
        if (!PyUnicode_IS_ASCII(a) || !PyUnicode_IS_ASCII(b)) {
            PyErr_SetString(PyExc_TypeError, "comparing strings with non-ASCII characters is not supported");
            return NULL;
        }
        same = equal_in_constant_time(PyUnicode_DATA(a), PyUnicode_GET_LENGTH(a), PyUnicode_DATA(b), PyUnicode_GET_LENGTH(b));
        return PyBool_FromLong(same);
    }
    if (!PyObject_CheckBuffer(a) || !PyObject_CheckBuffer(b)) {
        PyErr_Format(PyExc_TypeError, "unsupported operand types(s) or combination of types: '%.100s' and '%.100s'",
                     Py_TYPE(a)->tp_name, Py_TYPE(b)->tp_name);
        return NULL;
    }
    if (PyObject_GetBuffer(a, &x, PyBUF_SIMPLE) < 0) return NULL;
    if (x.ndim > 1) {
        PyErr_SetString(PyExc_BufferError, "Buffer must be single dimension");
        PyBuffer_Release(&x);
        return NULL;
    }
    if (PyObject_GetBuffer(b, &y, PyBUF_SIMPLE) < 0) {
        PyBuffer_Release(&x);
        return NULL;
    }
    if (y.ndim > 1) {
        PyErr_SetString(PyExc_BufferError, "Buffer must be single dimension");
        same = -1;
    }
    else same = equal_in_constant_time(x.buf, x.len, y.buf, y.len);
    PyBuffer_Release(&x);
    PyBuffer_Release(&y);
    return same < 0 ? NULL : PyBool_FromLong(same);
}

#define F(name) METHOD(operator, name)
static PyMethodDef operator_methods[] = {
    F(truth), F(contains), F(indexOf), F(countOf), F(is_), F(is_not), F(index), F(add), F(sub), F(mul), F(matmul), F(floordiv),
    F(truediv), F(mod), F(neg), F(pos), F(abs), F(inv), F(invert), F(lshift), F(rshift), F(not_), F(and_), F(xor), F(or_), F(iadd),
    F(isub), F(imul), F(imatmul), F(ifloordiv), F(itruediv), F(imod), F(ilshift), F(irshift), F(iand), F(ixor), F(ior), F(concat),
    F(iconcat), F(getitem), F(setitem), F(delitem), F(pow), F(ipow), F(eq), F(ne), F(lt), F(le), F(gt), F(ge), F(_compare_digest),
    F(length_hint), F(call), { 0 },
};

static int operator_exec(PyObject *module)
{
    return module_add_type(module, &itemgetter_spec, NULL) < 0 || module_add_type(module, &attrgetter_spec, NULL) < 0 ||
           module_add_type(module, &methodcaller_spec, NULL) < 0 ? -1 : 0;
}

static PyModuleDef_Slot operator_slots[] = { SLOT(mod_exec, operator_exec), MODULE_SLOTS_COMMON, { 0, NULL } };

static struct PyModuleDef operator_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_operator",
    .m_doc = "Operator interface.\n\nA function for each operator: operator.add(x, y) is x + y.",
    .m_methods = operator_methods,
    .m_slots = operator_slots,
};

PyMODINIT_FUNC PyInit__operator(void) { return PyModuleDef_Init(&operator_module); }
