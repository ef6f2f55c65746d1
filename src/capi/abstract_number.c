/* PyNumber_*: dispatch of operators to the slots of the operands' types.
 *
 * Of two operands the left one's slot goes first, unless the right one's type is a subclass of the left one's and brings
 * a slot of its own. A slot that does not know the other operand returns NotImplemented. Sequences come last: their
 * sq_concat and sq_repeat answer + and * when no number slot did. */
#include "capi/abstract_private.h"

#include "objects/long.h"

#include <string.h>

#define NUMBER_SLOT(methods, offset) (*(void **)((char *)(methods) + (offset)))
#define OFFSET(slot) offsetof(PyNumberMethods, slot)

COLD NOINLINE PyObject *abstract_type_error(const char *format, PyObject *o)
{
    PyErr_Format(PyExc_TypeError, format, Py_TYPE(o)->tp_name);
    return NULL;
}

COLD NOINLINE PyObject *abstract_null_error(void)
{
    if (!PyErr_Occurred()) PyErr_SetString(PyExc_SystemError, "null argument to internal routine");
    return NULL;
}

/* ---- binary operators ----------------------------------------------------------------------------------------------------------------- */

/* New reference, NotImplemented included. */
static ALWAYS_INLINE PyObject *dispatch(PyObject *v, PyObject *w, size_t offset)
{
    PyNumberMethods *mv = Py_TYPE(v)->tp_as_number, *mw;
    binaryfunc left = mv ? (binaryfunc)NUMBER_SLOT(mv, offset) : NULL, right = NULL;
    if (!Py_IS_TYPE(w, Py_TYPE(v)) && (mw = Py_TYPE(w)->tp_as_number)) {
        right = (binaryfunc)NUMBER_SLOT(mw, offset);
        if (right == left) right = NULL;
    }
    if (left) {
        PyObject *result;
        if (right && PyType_IsSubtype(Py_TYPE(w), Py_TYPE(v))) {
            result = right(v, w);
            if (result != Py_NotImplemented) return result;
            Py_DECREF(result);
            right = NULL;
        }
        result = left(v, w);
        if (result != Py_NotImplemented) return result;
        Py_DECREF(result);
    }
    if (right) return right(v, w);
    Py_RETURN_NOTIMPLEMENTED;
}

PyObject *abstract_add(PyObject *v, PyObject *w, bool inplace)
{
    PyNumberMethods *m = Py_TYPE(v)->tp_as_number;
    if (inplace && m && m->nb_inplace_add) {
        PyObject *result = m->nb_inplace_add(v, w);
        if (result != Py_NotImplemented) return result;
        Py_DECREF(result);
    }
    return dispatch(v, w, OFFSET(nb_add));
}

PyObject *abstract_multiply(PyObject *v, PyObject *w, bool inplace)
{
    PyNumberMethods *m = Py_TYPE(v)->tp_as_number;
    if (inplace && m && m->nb_inplace_multiply) {
        PyObject *result = m->nb_inplace_multiply(v, w);
        if (result != Py_NotImplemented) return result;
        Py_DECREF(result);
    }
    return dispatch(v, w, OFFSET(nb_multiply));
}

static COLD NOINLINE PyObject *unsupported(PyObject *v, PyObject *w, const char *operator)
{
    const char *hint = "";
    if (strcmp(operator, ">>") == 0 && PyCFunction_CheckExact(v) && strcmp(((PyCFunctionObject *)v)->m_ml->ml_name, "print") == 0)
        hint = ". Did you mean \"print(<message>, file=<output_stream>)\"?";
    PyErr_Format(PyExc_TypeError, "unsupported operand type(s) for %.100s: '%.100s' and '%.100s'%s", operator,
                 Py_TYPE(v)->tp_name, Py_TYPE(w)->tp_name, hint);
    return NULL;
}

#define BINARY_OPERATOR(function, slot, text)                            \
    PyObject *function(PyObject *v, PyObject *w)                         \
    {                                                                    \
        PyObject *result = dispatch(v, w, OFFSET(slot));                 \
        if (LIKELY(result != Py_NotImplemented)) return result;          \
        Py_DECREF(result);                                               \
        return unsupported(v, w, text);                                  \
    }
BINARY_OPERATOR(PyNumber_Or, nb_or, "|")
BINARY_OPERATOR(PyNumber_Xor, nb_xor, "^")
BINARY_OPERATOR(PyNumber_And, nb_and, "&")
BINARY_OPERATOR(PyNumber_Lshift, nb_lshift, "<<")
BINARY_OPERATOR(PyNumber_Rshift, nb_rshift, ">>")
BINARY_OPERATOR(PyNumber_Subtract, nb_subtract, "-")
BINARY_OPERATOR(PyNumber_Divmod, nb_divmod, "divmod()")
BINARY_OPERATOR(PyNumber_MatrixMultiply, nb_matrix_multiply, "@")
BINARY_OPERATOR(PyNumber_FloorDivide, nb_floor_divide, "//")
BINARY_OPERATOR(PyNumber_TrueDivide, nb_true_divide, "/")
BINARY_OPERATOR(PyNumber_Remainder, nb_remainder, "%")

PyObject *PyNumber_Add(PyObject *v, PyObject *w)
{
    PyObject *result = dispatch(v, w, OFFSET(nb_add));
    if (LIKELY(result != Py_NotImplemented)) return result;
    Py_DECREF(result);
    PySequenceMethods *m = Py_TYPE(v)->tp_as_sequence;
    if (m && m->sq_concat) return m->sq_concat(v, w);
    return unsupported(v, w, "+");
}

static PyObject *repeat(ssizeargfunc function, PyObject *sequence, PyObject *n)
{
    if (!PyIndex_Check(n)) return abstract_type_error("can't multiply sequence by non-int of type '%.200s'", n);
    Py_ssize_t count = PyNumber_AsSsize_t(n, PyExc_OverflowError);
    return count == -1 && PyErr_Occurred() ? NULL : function(sequence, count);
}

PyObject *PyNumber_Multiply(PyObject *v, PyObject *w)
{
    PyObject *result = dispatch(v, w, OFFSET(nb_multiply));
    if (LIKELY(result != Py_NotImplemented)) return result;
    Py_DECREF(result);
    PySequenceMethods *mv = Py_TYPE(v)->tp_as_sequence, *mw = Py_TYPE(w)->tp_as_sequence;
    if (mv && mv->sq_repeat) return repeat(mv->sq_repeat, v, w);
    if (mw && mw->sq_repeat) return repeat(mw->sq_repeat, w, v);
    return unsupported(v, w, "*");
}

/* ---- in place --------------------------------------------------------------------------------------------------------------------------- */

static ALWAYS_INLINE PyObject *dispatch_inplace(PyObject *v, PyObject *w, size_t inplace, size_t offset)
{
    PyNumberMethods *m = Py_TYPE(v)->tp_as_number;
    binaryfunc slot = m ? (binaryfunc)NUMBER_SLOT(m, inplace) : NULL;
    if (slot) {
        PyObject *result = slot(v, w);
        if (result != Py_NotImplemented) return result;
        Py_DECREF(result);
    }
    return dispatch(v, w, offset);
}

#define INPLACE_OPERATOR(function, inplace, slot, text)                                      \
    PyObject *function(PyObject *v, PyObject *w)                                             \
    {                                                                                        \
        PyObject *result = dispatch_inplace(v, w, OFFSET(inplace), OFFSET(slot));            \
        if (LIKELY(result != Py_NotImplemented)) return result;                              \
        Py_DECREF(result);                                                                   \
        return unsupported(v, w, text);                                                      \
    }
INPLACE_OPERATOR(PyNumber_InPlaceOr, nb_inplace_or, nb_or, "|=")
INPLACE_OPERATOR(PyNumber_InPlaceXor, nb_inplace_xor, nb_xor, "^=")
INPLACE_OPERATOR(PyNumber_InPlaceAnd, nb_inplace_and, nb_and, "&=")
INPLACE_OPERATOR(PyNumber_InPlaceLshift, nb_inplace_lshift, nb_lshift, "<<=")
INPLACE_OPERATOR(PyNumber_InPlaceRshift, nb_inplace_rshift, nb_rshift, ">>=")
INPLACE_OPERATOR(PyNumber_InPlaceSubtract, nb_inplace_subtract, nb_subtract, "-=")
INPLACE_OPERATOR(PyNumber_InPlaceMatrixMultiply, nb_inplace_matrix_multiply, nb_matrix_multiply, "@=")
INPLACE_OPERATOR(PyNumber_InPlaceFloorDivide, nb_inplace_floor_divide, nb_floor_divide, "//=")
INPLACE_OPERATOR(PyNumber_InPlaceTrueDivide, nb_inplace_true_divide, nb_true_divide, "/=")
INPLACE_OPERATOR(PyNumber_InPlaceRemainder, nb_inplace_remainder, nb_remainder, "%=")

PyObject *PyNumber_InPlaceAdd(PyObject *v, PyObject *w)
{
    PyObject *result = dispatch_inplace(v, w, OFFSET(nb_inplace_add), OFFSET(nb_add));
    if (LIKELY(result != Py_NotImplemented)) return result;
    Py_DECREF(result);
    PySequenceMethods *m = Py_TYPE(v)->tp_as_sequence;
    binaryfunc concat = !m ? NULL : m->sq_inplace_concat ? m->sq_inplace_concat : m->sq_concat;
    return concat ? concat(v, w) : unsupported(v, w, "+=");
}

PyObject *PyNumber_InPlaceMultiply(PyObject *v, PyObject *w)
{
    PyObject *result = dispatch_inplace(v, w, OFFSET(nb_inplace_multiply), OFFSET(nb_multiply));
    if (LIKELY(result != Py_NotImplemented)) return result;
    Py_DECREF(result);
    PySequenceMethods *mv = Py_TYPE(v)->tp_as_sequence, *mw = Py_TYPE(w)->tp_as_sequence;
    if (mv) {
        ssizeargfunc function = mv->sq_inplace_repeat ? mv->sq_inplace_repeat : mv->sq_repeat;
        if (function) return repeat(function, v, w);
    }
    else if (mw && mw->sq_repeat) return repeat(mw->sq_repeat, w, v);      /* the right operand is not to be changed */
    return unsupported(v, w, "*=");
}

/* ---- power -------------------------------------------------------------------------------------------------------------------------------- */

static inline ternaryfunc power_slot(PyObject *o)
{
    PyNumberMethods *m = Py_TYPE(o)->tp_as_number;
    return m ? m->nb_power : NULL;
}

static PyObject *power(PyObject *v, PyObject *w, PyObject *z, const char *operator)
{
    ternaryfunc left = power_slot(v), right = Py_IS_TYPE(w, Py_TYPE(v)) ? NULL : power_slot(w), third;
    PyObject *result;
    if (right == left) right = NULL;
    ternaryfunc tried_right = right;
    if (left) {
        if (right && PyType_IsSubtype(Py_TYPE(w), Py_TYPE(v))) {
            result = right(v, w, z);
            if (result != Py_NotImplemented) return result;
            Py_DECREF(result);
            right = NULL;
        }
        result = left(v, w, z);
        if (result != Py_NotImplemented) return result;
        Py_DECREF(result);
    }
    if (right) {
        result = right(v, w, z);
        if (result != Py_NotImplemented) return result;
        Py_DECREF(result);
    }
    third = power_slot(z);
    if (third && third != left && third != tried_right) {
        result = third(v, w, z);
        if (result != Py_NotImplemented) return result;
        Py_DECREF(result);
    }
    if (z == Py_None)
        PyErr_Format(PyExc_TypeError, "unsupported operand type(s) for %.100s: '%.100s' and '%.100s'", operator,
                     Py_TYPE(v)->tp_name, Py_TYPE(w)->tp_name);
    else
        PyErr_Format(PyExc_TypeError, "unsupported operand type(s) for %.100s: '%.100s', '%.100s', '%.100s'", operator,
                     Py_TYPE(v)->tp_name, Py_TYPE(w)->tp_name, Py_TYPE(z)->tp_name);
    return NULL;
}

PyObject *PyNumber_Power(PyObject *v, PyObject *w, PyObject *z) { return power(v, w, z, "** or pow()"); }

PyObject *PyNumber_InPlacePower(PyObject *v, PyObject *w, PyObject *z)
{
    PyNumberMethods *m = Py_TYPE(v)->tp_as_number;
    if (m && m->nb_inplace_power) {
        PyObject *result = m->nb_inplace_power(v, w, z);
        if (result != Py_NotImplemented) return result;
        Py_DECREF(result);
    }
    return power(v, w, z, "**=");
}

/* ---- unary operators ------------------------------------------------------------------------------------------------------------------ */

#define UNARY_OPERATOR(function, slot, message)                              \
    PyObject *function(PyObject *o)                                          \
    {                                                                        \
        if (!o) return abstract_null_error();                                \
        PyNumberMethods *m = Py_TYPE(o)->tp_as_number;                       \
        if (LIKELY(m && m->slot)) return m->slot(o);                         \
        return abstract_type_error(message, o);                              \
    }
UNARY_OPERATOR(PyNumber_Negative, nb_negative, "bad operand type for unary -: '%.200s'")
UNARY_OPERATOR(PyNumber_Positive, nb_positive, "bad operand type for unary +: '%.200s'")
UNARY_OPERATOR(PyNumber_Invert, nb_invert, "bad operand type for unary ~: '%.200s'")
UNARY_OPERATOR(PyNumber_Absolute, nb_absolute, "bad operand type for abs(): '%.200s'")

/* ---- conversions ------------------------------------------------------------------------------------------------------------------------ */

int PyIndex_Check(PyObject *o) { return Py_TYPE(o)->tp_as_number && Py_TYPE(o)->tp_as_number->nb_index; }

int PyNumber_Check(PyObject *o)
{
    if (!o) return 0;
    PyNumberMethods *m = Py_TYPE(o)->tp_as_number;
    return (m && (m->nb_index || m->nb_int || m->nb_float)) || PyComplex_Check(o);
}

/* Steals result: what __index__ or __int__ returned. An int, of a subclass only with a warning. */
static PyObject *check_int_result(PyObject *result, const char *method)
{
    if (LIKELY(!result || PyLong_CheckExact(result))) return result;
    if (!PyLong_Check(result)) {
        PyErr_Format(PyExc_TypeError, "%s returned non-int (type %.200s)", method, Py_TYPE(result)->tp_name);
        Py_DECREF(result);
        return NULL;
    }
    if (PyErr_WarnFormat(PyExc_DeprecationWarning, 1,
                         "%s returned non-int (type %.200s).  The ability to return an instance of a strict subclass of int "
                         "is deprecated, and may be removed in a future version of Python.", method, Py_TYPE(result)->tp_name) < 0) {
        Py_DECREF(result);
        return NULL;
    }
    return result;
}

PyObject *abstract_index(PyObject *v)
{
    if (!v) return abstract_null_error();
    if (LIKELY(PyLong_Check(v))) return Py_NewRef(v);
    if (!PyIndex_Check(v)) return abstract_type_error("'%.200s' object cannot be interpreted as an integer", v);
    return check_int_result(Py_TYPE(v)->tp_as_number->nb_index(v), "__index__");
}

/* Steals; an int of the exact type. */
static PyObject *to_exact_int(PyObject *v)
{
    if (v && !PyLong_CheckExact(v)) Py_SETREF(v, _PyLong_Copy((PyLongObject *)v));
    return v;
}

PyObject *PyNumber_Index(PyObject *v)
{
    if (LIKELY(v && PyLong_CheckExact(v))) return Py_NewRef(v);
    return to_exact_int(abstract_index(v));
}

Py_ssize_t PyNumber_AsSsize_t(PyObject *item, PyObject *error)
{
    if (LIKELY(item && PyLong_Check(item) && long_is_short(LONG(item)))) return long_short_value(LONG(item));
    PyObject *v = abstract_index(item);
    if (!v) return -1;
    Py_ssize_t result = PyLong_AsSsize_t(v);
    if (result == -1 && PyErr_Occurred() && PyErr_ExceptionMatches(PyExc_OverflowError)) {
        PyErr_Clear();
        if (!error) result = long_is_negative(LONG(v)) ? PY_SSIZE_T_MIN : PY_SSIZE_T_MAX;
        else PyErr_Format(error, "cannot fit '%.200s' into an index-sized integer", Py_TYPE(item)->tp_name);
    }
    Py_DECREF(v);
    return result;
}

/* int(o) by way of __trunc__. NULL without exception: it has none. */
static PyObject *int_from_trunc(PyObject *o)
{
    PyObject *method = abstract_lookup_special(o, STR(__trunc__));
    if (!method) return NULL;
    if (PyErr_WarnEx(PyExc_DeprecationWarning, "The delegation of int() to __trunc__ is deprecated.", 1) < 0) {
        Py_DECREF(method);
        return NULL;
    }
    PyObject *result = PyObject_CallNoArgs(method);
    Py_DECREF(method);
    if (!result || PyLong_CheckExact(result)) return result;
    if (PyLong_Check(result)) return to_exact_int(result);
    if (!PyIndex_Check(result)) {
        PyErr_Format(PyExc_TypeError, "__trunc__ returned non-Integral (type %.200s)", Py_TYPE(result)->tp_name);
        Py_DECREF(result);
        return NULL;
    }
    Py_SETREF(result, PyNumber_Index(result));
    return result;
}

static NOINLINE PyObject *int_from_text(PyObject *o)
{
    if (PyUnicode_Check(o)) return PyLong_FromUnicodeObject(o, 10);
    if (PyBytes_Check(o)) return long_from_bytes(PyBytes_AS_STRING(o), PyBytes_GET_SIZE(o), 10);
    if (PyByteArray_Check(o)) return long_from_bytes(PyByteArray_AS_STRING(o), PyByteArray_GET_SIZE(o), 10);
    Py_buffer view;
    if (PyObject_CheckBuffer(o) && PyObject_GetBuffer(o, &view, PyBUF_SIMPLE) == 0) {
        PyObject *result = NULL, *bytes = PyBytes_FromStringAndSize(view.buf, view.len);   /* the buffer may change while a message is made */
        if (bytes) result = long_from_bytes(PyBytes_AS_STRING(bytes), PyBytes_GET_SIZE(bytes), 10);
        Py_XDECREF(bytes);
        PyBuffer_Release(&view);
        return result;
    }
    PyErr_Clear();
    return abstract_type_error("int() argument must be a string, a bytes-like object or a real number, not '%.200s'", o);
}

PyObject *PyNumber_Long(PyObject *o)
{
    if (!o) return abstract_null_error();
    if (LIKELY(PyLong_CheckExact(o))) return Py_NewRef(o);
    PyNumberMethods *m = Py_TYPE(o)->tp_as_number;
    if (m && m->nb_int) return to_exact_int(check_int_result(m->nb_int(o), "__int__"));
    if (m && m->nb_index) return PyNumber_Index(o);
    PyObject *result = int_from_trunc(o);
    if (result || PyErr_Occurred()) return result;
    return int_from_text(o);
}

PyObject *PyNumber_Float(PyObject *o)
{
    if (!o) return abstract_null_error();
    if (PyFloat_CheckExact(o)) return Py_NewRef(o);
    PyNumberMethods *m = Py_TYPE(o)->tp_as_number;
    if (m && m->nb_float) {
        PyObject *result = m->nb_float(o);
        if (!result || PyFloat_CheckExact(result)) return result;
        if (!PyFloat_Check(result)) {
            PyErr_Format(PyExc_TypeError, "%.50s.__float__ returned non-float (type %.50s)", Py_TYPE(o)->tp_name, Py_TYPE(result)->tp_name);
            Py_DECREF(result);
            return NULL;
        }
        if (PyErr_WarnFormat(PyExc_DeprecationWarning, 1,
                             "%.50s.__float__ returned non-float (type %.50s).  The ability to return an instance of a strict "
                             "subclass of float is deprecated, and may be removed in a future version of Python.",
                             Py_TYPE(o)->tp_name, Py_TYPE(result)->tp_name) < 0) {
            Py_DECREF(result);
            return NULL;
        }
        Py_SETREF(result, PyFloat_FromDouble(PyFloat_AS_DOUBLE(result)));
        return result;
    }
    if (m && m->nb_index) {
        PyObject *index = abstract_index(o);
        if (!index) return NULL;
        double value = PyLong_AsDouble(index);
        Py_DECREF(index);
        return value == -1.0 && PyErr_Occurred() ? NULL : PyFloat_FromDouble(value);
    }
    if (PyFloat_Check(o)) return PyFloat_FromDouble(PyFloat_AS_DOUBLE(o));
    return PyFloat_FromString(o);
}

PyObject *PyNumber_ToBase(PyObject *n, int base)
{
    if (base != 2 && base != 8 && base != 10 && base != 16) {
        PyErr_SetString(PyExc_SystemError, "PyNumber_ToBase: base must be 2, 8, 10 or 16");
        return NULL;
    }
    PyObject *index = abstract_index(n);
    if (!index) return NULL;
    PyObject *text = long_to_text(index, base, true);
    Py_DECREF(index);
    return text;
}
