/* float, the type: slots, methods, constructor, PyFloat_* functions. Digits and parsing are in float_text.c, the packed
 * formats and hexadecimal text in float_pack.c. */
#include "objects/float.h"

#include "capi/args.h"
#include "objects/float_private.h"
#include "objects/float_text.h"
#include "objects/format.h"
#include "objects/long.h"

#include <errno.h>
#include <float.h>
#include <math.h>
#include <string.h>

double PyFloat_GetMax(void) { return DBL_MAX; }
double PyFloat_GetMin(void) { return DBL_MIN; }

PyObject *PyFloat_FromDouble(double value) { return float_new(thread_get(), value); }

static void float_dealloc(PyObject *f)
{
    if (LIKELY(PyFloat_CheckExact(f))) heap_free(f);
    else Py_TYPE(f)->tp_free(f);
}

/* ---- to double --------------------------------------------------------------------------------------------------------------------------- */

static NOINLINE double as_double_slow(PyObject *o)
{
    if (!o) {
        PyErr_BadArgument();
        return -1.0;
    }
    if (PyFloat_Check(o)) return FLOAT_VALUE(o);
    PyNumberMethods *m = Py_TYPE(o)->tp_as_number;
    if (!m || !m->nb_float) {
        if (m && m->nb_index) {
            PyObject *index = PyNumber_Index(o);
            if (!index) return -1.0;
            double value = PyLong_AsDouble(index);
            Py_DECREF(index);
            return value;
        }
        PyErr_Format(PyExc_TypeError, "must be real number, not %.50s", Py_TYPE(o)->tp_name);
        return -1.0;
    }
    PyObject *result = m->nb_float(o);
    if (!result) return -1.0;
    if (!PyFloat_CheckExact(result)) {
        if (!PyFloat_Check(result)) {
            PyErr_Format(PyExc_TypeError, "%.50s.__float__ returned non-float (type %.50s)", Py_TYPE(o)->tp_name, Py_TYPE(result)->tp_name);
            Py_DECREF(result);
            return -1.0;
        }
        if (PyErr_WarnFormat(PyExc_DeprecationWarning, 1,
                             "%.50s.__float__ returned non-float (type %.50s).  The ability to return an instance of a strict "
                             "subclass of float is deprecated, and may be removed in a future version of Python.",
                             Py_TYPE(o)->tp_name, Py_TYPE(result)->tp_name) < 0) {
            Py_DECREF(result);
            return -1.0;
        }
    }
    double value = FLOAT_VALUE(result);
    Py_DECREF(result);
    return value;
}

double PyFloat_AsDouble(PyObject *o)
{
    if (LIKELY(o && PyFloat_CheckExact(o))) return FLOAT_VALUE(o);
    return as_double_slow(o);
}

/* The operand of an operator: 1 and the value, 0 when it is no number that float knows, -1 with an exception. */
static ALWAYS_INLINE int operand(PyObject *o, double *value)
{
    if (LIKELY(PyFloat_CheckExact(o)) || PyFloat_Check(o)) {
        *value = FLOAT_VALUE(o);
        return 1;
    }
    if (!PyLong_Check(o)) return 0;
    *value = PyLong_AsDouble(o);
    return *value == -1.0 && PyErr_Occurred() ? -1 : 1;
}

#define OPERANDS(a, b, x, y)                                       \
    double x, y;                                                   \
    {                                                              \
        int status = operand(a, &x);                               \
        if (LIKELY(status > 0)) status = operand(b, &y);           \
        if (UNLIKELY(status <= 0)) {                               \
            if (status < 0) return NULL;                           \
            Py_RETURN_NOTIMPLEMENTED;                              \
        }                                                          \
    }

/* ---- text ------------------------------------------------------------------------------------------------------------------------------------ */

static PyObject *float_repr(PyObject *f)
{
    char text[FLOAT_REPR_SIZE];
    int n = float_repr_text(FLOAT_VALUE(f), text);
    PyObject *s = PyUnicode_New(n, 127);
    if (s) memcpy(PyUnicode_1BYTE_DATA(s), text, (size_t)n);
    return s;
}

static bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* A copy without underscores, or NULL: without exception when one is not between digits. */
static char *drop_underscores(const char *text, const char **end)
{
    char *copy = PyMem_Malloc((size_t)(*end - text) + 1), *p = copy, before = 0;
    if (!copy) {
        PyErr_NoMemory();
        return NULL;
    }
    for (const char *s = text; s < *end; s++) {
        if (*s == '_') {
            if (!is_digit(before)) goto misplaced;
        }
        else {
            if (before == '_' && !is_digit(*s)) goto misplaced;
            *p++ = *s;
        }
        before = *s;
    }
    if (before == '_') goto misplaced;
    *p = 0;
    *end = p;
    return copy;
misplaced:
    PyMem_Free(copy);
    return NULL;
}

/* The text is what float() reads: white space around, underscores between digits. ValueError shows `shown`. */
static PyObject *float_from_text(const char *text, Py_ssize_t length, PyObject *shown)
{
    const char *end = text + length;
    char *copy = NULL;
    double value;
    bool overflow;
    while (text < end && is_space(*text)) text++;
    while (text < end && is_space(end[-1])) end--;
    if (UNLIKELY(memchr(text, '_', (size_t)(end - text)) != NULL)) {
        copy = drop_underscores(text, &end);
        if (!copy) goto error;
        text = copy;
    }
    const char *stop = float_read(text, end, &value, &overflow);
    PyMem_Free(copy);
    if (LIKELY(stop == end && stop != text)) return PyFloat_FromDouble(value);
    if (!stop) return PyErr_NoMemory();
error:
    if (!PyErr_Occurred()) PyErr_Format(PyExc_ValueError, "could not convert string to float: %R", shown);
    return NULL;
}

PyObject *PyFloat_FromString(PyObject *o)
{
    if (PyUnicode_Check(o)) {
        PyObject *ascii = PyUnicode_IS_ASCII(o) ? Py_NewRef(o) : str_digits_to_ascii(o);
        if (!ascii) return NULL;
        PyObject *result = float_from_text((const char *)PyUnicode_1BYTE_DATA(ascii), PyUnicode_GET_LENGTH(ascii), o);
        Py_DECREF(ascii);
        return result;
    }
    if (PyBytes_Check(o)) return float_from_text(PyBytes_AS_STRING(o), PyBytes_GET_SIZE(o), o);
    if (PyByteArray_Check(o)) return float_from_text(PyByteArray_AS_STRING(o), PyByteArray_GET_SIZE(o), o);
    Py_buffer view;
    if (PyObject_CheckBuffer(o) && PyObject_GetBuffer(o, &view, PyBUF_SIMPLE) == 0) {
        PyObject *bytes = PyBytes_FromStringAndSize(view.buf, view.len);
        PyObject *result = bytes ? float_from_text(PyBytes_AS_STRING(bytes), PyBytes_GET_SIZE(bytes), o) : NULL;
        Py_XDECREF(bytes);
        PyBuffer_Release(&view);
        return result;
    }
    PyErr_Clear();
    PyErr_Format(PyExc_TypeError, "float() argument must be a string or a real number, not '%.200s'", Py_TYPE(o)->tp_name);
    return NULL;
}

/* ---- comparison, hash -------------------------------------------------------------------------------------------------------------------- */

/* x against an int of any size, exactly; x is not a nan. */
static int compare_with_int(double x, PyObject *v)
{
    if (long_is_short(LONG(v)) && fabs(x) < 1e17) {         /* both fit in 64 bits; the fraction of x decides ties */
        int64_t i = (int64_t)x, y = long_short_value(LONG(v));
        if (i != y) return i < y ? -1 : 1;
        double fraction = x - (double)i;                    /* exact: |x| >= 2^53 has none */
        return (fraction > 0) - (fraction < 0);
    }
    int sign_x = (x > 0) - (x < 0), sign_v = long_sign(LONG(v));
    if (sign_x != sign_v) return sign_x < sign_v ? -1 : 1;
    if (sign_x == 0) return 0;
    if (isinf(x)) return sign_x;
    int64_t exponent_v;
    int exponent_x;
    double fraction_v = long_frexp(LONG(v), &exponent_v);
    (void)fraction_v;
    (void)frexp(x, &exponent_x);
    size_t bits_v = _PyLong_NumBits(v);
    if (exponent_x < 0 || (size_t)exponent_x != bits_v) return exponent_x < 0 || (size_t)exponent_x < bits_v ? -sign_x : sign_x;
    /* as many bits: the integer part of x is an int of the same size */
    double whole, fraction = modf(x, &whole);
    PyObject *w = PyLong_FromDouble(whole);
    if (!w) return -2;
    int order = long_compare(LONG(w), LONG(v));
    Py_DECREF(w);
    return order ? order : (fraction > 0) - (fraction < 0);
}

static PyObject *float_richcompare(PyObject *a, PyObject *b, int op)
{
    double x = FLOAT_VALUE(a);
    if (LIKELY(PyFloat_Check(b))) {
        double y = FLOAT_VALUE(b);
        bool result;
        switch (op) {
        case Py_EQ: result = x == y; break;
        case Py_NE: result = x != y; break;
        case Py_LT: result = x < y; break;
        case Py_LE: result = x <= y; break;
        case Py_GT: result = x > y; break;
        default: result = x >= y; break;
        }
        return PyBool_FromLong(result);
    }
    if (!PyLong_Check(b)) Py_RETURN_NOTIMPLEMENTED;
    if (isnan(x)) return PyBool_FromLong(op == Py_NE);
    int order = compare_with_int(x, b);
    if (order == -2) return NULL;
    Py_RETURN_RICHCOMPARE(order, 0, op);
}

Py_hash_t float_hash_value(PyObject *object, double value)
{
    if (!isfinite(value)) {
        if (isinf(value)) return value > 0 ? _PyHASH_INF : -_PyHASH_INF;
        return Py_HashPointer(object);        /* nans are all different */
    }
    int exponent;
    double m = frexp(value, &exponent);
    int sign = 1;
    if (m < 0) {
        sign = -1;
        m = -m;
    }
    /* reduce modulo 2^61 - 1, 28 bits at a time */
    uint64_t x = 0;
    while (m != 0.0) {
        x = ((x << 28) & _PyHASH_MODULUS) | x >> (_PyHASH_BITS - 28);
        m *= 268435456.0;
        exponent -= 28;
        uint64_t y = (uint64_t)m;
        m -= (double)y;
        x += y;
        if (x >= _PyHASH_MODULUS) x -= _PyHASH_MODULUS;
    }
    exponent = exponent >= 0 ? exponent % _PyHASH_BITS : _PyHASH_BITS - 1 - ((-1 - exponent) % _PyHASH_BITS);
    x = ((x << exponent) & _PyHASH_MODULUS) | x >> (_PyHASH_BITS - exponent);
    Py_hash_t hash = sign < 0 ? -(Py_hash_t)x : (Py_hash_t)x;
    return hash == -1 ? -2 : hash;
}

PyAPI_FUNC(Py_hash_t) _Py_HashDouble(PyObject *object, double value);
Py_hash_t _Py_HashDouble(PyObject *object, double value) { return float_hash_value(object, value); }

static Py_hash_t float_hash(PyObject *f)
{
    double value = FLOAT_VALUE(f);
    if (value > -9e15 && value < 9e15 && value == (double)(int64_t)value) {        /* an int hashes to itself */
        int64_t i = (int64_t)value;
        return i == -1 ? -2 : i;
    }
    return float_hash_value(f, value);
}

/* ---- arithmetic ------------------------------------------------------------------------------------------------------------------------------ */

static PyObject *float_add(PyObject *a, PyObject *b)
{
    OPERANDS(a, b, x, y)
    return float_new(thread_get(), x + y);
}

static PyObject *float_sub(PyObject *a, PyObject *b)
{
    OPERANDS(a, b, x, y)
    return float_new(thread_get(), x - y);
}

static PyObject *float_mul(PyObject *a, PyObject *b)
{
    OPERANDS(a, b, x, y)
    return float_new(thread_get(), x * y);
}

static COLD PyObject *divided_by_zero(const char *text)
{
    PyErr_SetString(PyExc_ZeroDivisionError, text);
    return NULL;
}

static PyObject *float_div(PyObject *a, PyObject *b)
{
    OPERANDS(a, b, x, y)
    if (UNLIKELY(y == 0.0)) return divided_by_zero("float division by zero");
    return float_new(thread_get(), x / y);
}

/* Quotient and remainder together: the remainder has the sign of y, the quotient is what makes x == q * y + r. */
static void floor_divmod(double x, double y, double *quotient, double *remainder)
{
    double r = fmod(x, y), q = (x - r) / y;
    if (r != 0.0) {
        if ((y < 0) != (r < 0)) {
            r += y;
            q -= 1.0;
        }
    }
    else r = copysign(0.0, y);
    if (q != 0.0) {
        double whole = floor(q);
        if (q - whole > 0.5) whole += 1.0;
        q = whole;
    }
    else q = copysign(0.0, x / y);
    *quotient = q;
    *remainder = r;
}

static double float_floor_divide(double x, double y)
{
    double q, r;
    floor_divmod(x, y, &q, &r);
    return q;
}

/* x // y and x % y as Python defines them, y not zero. */
static double float_modulo(double x, double y)
{
    double r = fmod(x, y);
    if (r == 0.0) return copysign(0.0, y);
    return (y < 0) != (r < 0) ? r + y : r;
}

static PyObject *float_rem(PyObject *a, PyObject *b)
{
    OPERANDS(a, b, x, y)
    if (UNLIKELY(y == 0.0)) return divided_by_zero("float modulo by zero");
    return float_new(thread_get(), float_modulo(x, y));
}

static PyObject *float_divmod(PyObject *a, PyObject *b)
{
    OPERANDS(a, b, x, y)
    if (UNLIKELY(y == 0.0)) return divided_by_zero("float divmod()");
    double q, r;
    floor_divmod(x, y, &q, &r);
    return Py_BuildValue("(dd)", q, r);
}

static PyObject *float_floor_div(PyObject *a, PyObject *b)
{
    OPERANDS(a, b, x, y)
    if (UNLIKELY(y == 0.0)) return divided_by_zero("float floor division by zero");
    return float_new(thread_get(), float_floor_divide(x, y));
}

static bool is_odd(double y) { return fmod(fabs(y), 2.0) == 1.0; }

/* The cases that C libraries were found to answer differently, spelled out. */
static PyObject *float_pow(PyObject *a, PyObject *b, PyObject *modulus)
{
    if (modulus != Py_None) {
        PyErr_SetString(PyExc_TypeError, "pow() 3rd argument not allowed unless all arguments are integers");
        return NULL;
    }
    OPERANDS(a, b, x, y)
    if (y == 0) return PyFloat_FromDouble(1.0);
    if (isnan(x)) return PyFloat_FromDouble(x);
    if (isnan(y)) return PyFloat_FromDouble(x == 1.0 ? 1.0 : y);
    if (isinf(y)) {
        double magnitude = fabs(x);
        if (magnitude == 1.0) return PyFloat_FromDouble(1.0);
        return PyFloat_FromDouble((y > 0.0) == (magnitude > 1.0) ? fabs(y) : 0.0);
    }
    bool odd = is_odd(y);
    if (isinf(x)) {
        if (y > 0.0) return PyFloat_FromDouble(odd ? x : fabs(x));
        return PyFloat_FromDouble(odd ? copysign(0.0, x) : 0.0);
    }
    if (x == 0.0) {
        if (y < 0.0) return divided_by_zero("0.0 cannot be raised to a negative power");
        return PyFloat_FromDouble(odd ? x : 0.0);
    }
    bool negate = false;
    if (x < 0.0) {
        if (y != floor(y)) return PyComplex_Type.tp_as_number->nb_power(a, b, modulus);
        x = -x;
        negate = odd;
    }
    if (x == 1.0) return PyFloat_FromDouble(negate ? -1.0 : 1.0);
    double result = pow(x, y);
    if (isinf(result)) {
        errno = ERANGE;
        PyErr_SetFromErrno(PyExc_OverflowError);
        return NULL;
    }
    return PyFloat_FromDouble(negate ? -result : result);
}

static PyObject *float_neg(PyObject *f) { return PyFloat_FromDouble(-FLOAT_VALUE(f)); }
static PyObject *float_abs(PyObject *f) { return PyFloat_FromDouble(fabs(FLOAT_VALUE(f))); }
static int float_bool(PyObject *f) { return FLOAT_VALUE(f) != 0.0; }
static PyObject *float_exact(PyObject *f) { return PyFloat_CheckExact(f) ? Py_NewRef(f) : PyFloat_FromDouble(FLOAT_VALUE(f)); }
static PyObject *float_to_int(PyObject *f) { return PyLong_FromDouble(FLOAT_VALUE(f)); }

/* ---- methods ------------------------------------------------------------------------------------------------------------------------------------ */

BUILTIN_NOARGS(float, conjugate, "($self, /)", "The number itself: it has no imaginary part.")
{
    return float_exact(self);
}

BUILTIN_NOARGS(float, is_integer, "($self, /)", "Whether the number has no fraction.")
{
    double value = FLOAT_VALUE(self);
    return PyBool_FromLong(isfinite(value) && floor(value) == value);
}

BUILTIN_NOARGS(float, __trunc__, "($self, /)", "The integer next to the number towards 0.")
{
    return float_to_int(self);
}

BUILTIN_NOARGS(float, __floor__, "($self, /)", "The greatest integer that is not above the number.")
{
    return PyLong_FromDouble(floor(FLOAT_VALUE(self)));
}

BUILTIN_NOARGS(float, __ceil__, "($self, /)", "The least integer that is not below the number.")
{
    return PyLong_FromDouble(ceil(FLOAT_VALUE(self)));
}

/* x to a multiple of 10 ** -places, places < 0, from the exact decimal digits of x. x > 0. */
static double round_before_point(double x, int places)
{
    char digits[400];
    double whole, fraction = modf(x, &whole);
    int n = snprintf(digits, sizeof digits, "%.0f", whole), keep = n + places;
    if (keep < 0) return 0.0;
    int first = keep < n ? digits[keep] - '0' : 0;
    bool rest = fraction != 0.0, odd = keep > 0 && (digits[keep - 1] & 1);
    for (int i = keep + 1; i < n && !rest; i++) rest = digits[i] != '0';
    bool up = first > 5 || (first == 5 && (rest || odd));
    if (keep == 0) {
        if (!up) return 0.0;
        digits[0] = '0';
        keep = 1;
        n = 1 - places;
    }
    char text[420];
    memcpy(text, digits, (size_t)keep);
    int carry = up, i = keep;
    while (carry && i--) {
        if (text[i] == '9') text[i] = '0';
        else {
            text[i]++;
            carry = 0;
        }
    }
    if (carry) {
        memmove(text + 1, text, (size_t)keep);
        text[0] = '1';
        keep++;
    }
    snprintf(text + keep, sizeof text - (size_t)keep, "e%d", -places);
    bool overflow;
    double result = 0.0;
    float_read(text, text + strlen(text), &result, &overflow);
    return result;
}

static PyObject *round_to_places(double x, int places)
{
    static const double exact_powers[] = { 1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15 };
    double magnitude = fabs(x), result;
    uint64_t scaled;
    if (magnitude == 0.0) return PyFloat_FromDouble(x);
    if (float_scaled(magnitude, places, &scaled) && scaled <= (uint64_t)1 << 53) result = (double)scaled / exact_powers[places];
    else if (places < 0) result = round_before_point(magnitude, places);
    else {
        char *text = PyOS_double_to_string(magnitude, 'f', places, 0, NULL);
        if (!text) return NULL;
        result = PyOS_string_to_double(text, NULL, NULL);
        PyMem_Free(text);
    }
    if (isinf(result)) {
        PyErr_SetString(PyExc_OverflowError, "rounded value too large to represent");
        return NULL;
    }
    return PyFloat_FromDouble(copysign(result, x));
}

BUILTIN(float, __round__, POSITIONAL, "($self, ndigits=None, /)",
    "The nearest integer, of two the even one; with ndigits, the nearest float with that many decimals.")
{
    double x = FLOAT_VALUE(self);
    if (!arg[0] || arg[0] == Py_None) {
        double rounded = round(x);
        if (fabs(x - rounded) == 0.5) rounded = 2.0 * round(x / 2.0);
        return PyLong_FromDouble(rounded);
    }
    Py_ssize_t places = PyNumber_AsSsize_t(arg[0], NULL);
    if (places == -1 && PyErr_Occurred()) return NULL;
    if (!isfinite(x)) return PyFloat_FromDouble(x);
    if (places > 323) return PyFloat_FromDouble(x);          /* more decimals than a float has */
    if (places < -309) return PyFloat_FromDouble(0.0 * x);
    return round_to_places(x, (int)places);
}

BUILTIN_NOARGS(float, as_integer_ratio, "($self, /)",
    "Pair of integers, the second positive, whose quotient is exactly the number.\n\n>>> (10.0).as_integer_ratio()\n(10, 1)\n"
    ">>> (0.0).as_integer_ratio()\n(0, 1)\n>>> (-.25).as_integer_ratio()\n(-1, 4)")
{
    double value = FLOAT_VALUE(self);
    if (isinf(value)) {
        PyErr_SetString(PyExc_OverflowError, "cannot convert Infinity to integer ratio");
        return NULL;
    }
    if (isnan(value)) {
        PyErr_SetString(PyExc_ValueError, "cannot convert NaN to integer ratio");
        return NULL;
    }
    int exponent;
    int64_t mantissa = (int64_t)ldexp(frexp(value, &exponent), 53);
    exponent -= 53;
    if (mantissa == 0) exponent = 0;
    else {
        int zeros = __builtin_ctzll((uint64_t)mantissa);
        mantissa >>= zeros;
        exponent += zeros;
    }
    PyObject *top = PyLong_FromLongLong(mantissa), *shift = PyLong_FromLong(exponent < 0 ? -exponent : exponent), *bottom = NULL, *pair = NULL;
    if (!top || !shift) goto done;
    if (exponent < 0) bottom = PyNumber_Lshift(SMALL_INT(1), shift);
    else {
        bottom = SMALL_INT(1);
        Py_SETREF(top, PyNumber_Lshift(top, shift));
    }
    if (top && bottom) pair = PyTuple_Pack(2, top, bottom);
done:
    Py_XDECREF(top);
    Py_XDECREF(shift);
    Py_XDECREF(bottom);
    return pair;
}

BUILTIN_NOARGS(float, hex, "($self, /)", "The number in hexadecimal.\n\n>>> (-0.1).hex()\n'-0x1.999999999999ap-4'\n>>> 0.5.hex()\n'0x1.0000000000000p-1'")
{
    return float_to_hex(FLOAT_VALUE(self));
}

BUILTIN_O(float, fromhex, "($type, string, /)", "The float that a hexadecimal string spells.\n\n>>> float.fromhex('0x1.ffffp10')\n2047.984375\n>>> float.fromhex('-0x1p-1')\n-0.5")
{
    PyObject *value = float_from_hex(arg);
    if (value && self != OBJECT(&PyFloat_Type)) Py_SETREF(value, PyObject_CallOneArg(self, value));
    return value;
}

BUILTIN_NOARGS(float, __getnewargs__, "($self, /)", "Arguments for __new__ when it is unpickled.")
{
    return Py_BuildValue("(d)", FLOAT_VALUE(self));
}

BUILTIN_O(float, __getformat__, "($type, typestr, /)", "How C's 'double' or 'float' is laid out here; for tests.")
{
    if (!PyUnicode_Check(arg)) {
        PyErr_Format(PyExc_TypeError, "__getformat__() argument must be str, not %.50s", arg == Py_None ? "None" : Py_TYPE(arg)->tp_name);
        return NULL;
    }
    if (!PyUnicode_EqualToUTF8(arg, "double") && !PyUnicode_EqualToUTF8(arg, "float")) {
        PyErr_SetString(PyExc_ValueError, "__getformat__() argument 1 must be 'double' or 'float'");
        return NULL;
    }
    return PyUnicode_FromString(PY_LITTLE_ENDIAN ? "IEEE, little-endian" : "IEEE, big-endian");
}

BUILTIN_O(float, __format__, "($self, format_spec, /)", "Text of the number as the specification asks for it.")
{
    if (!PyUnicode_Check(arg)) {
        PyErr_Format(PyExc_TypeError, "__format__() argument must be str, not %.50s", arg == Py_None ? "None" : Py_TYPE(arg)->tp_name);
        return NULL;
    }
    return format_float(self, arg);
}

static PyMethodDef float_methods[] = {
    METHOD(float, conjugate),
    METHOD(float, __trunc__),
    METHOD(float, __floor__),
    METHOD(float, __ceil__),
    METHOD(float, __round__),
    METHOD(float, as_integer_ratio),
    METHOD_CLASS(float, fromhex),
    METHOD(float, hex),
    METHOD(float, is_integer),
    METHOD_UNDOCUMENTED(float, __getnewargs__),
    METHOD_CLASS(float, __getformat__),
    METHOD(float, __format__),
    {0},
};

static PyObject *get_real(PyObject *self, void *Py_UNUSED(closure)) { return float_exact(self); }
static PyObject *get_imag(PyObject *Py_UNUSED(self), void *Py_UNUSED(closure)) { return PyFloat_FromDouble(0.0); }

static PyGetSetDef float_getset[] = {
    { "real", get_real, NULL, "the real part: the number itself", NULL },
    { "imag", get_imag, NULL, "the imaginary part: 0.0", NULL },
    {0},
};

/* ---- construction ----------------------------------------------------------------------------------------------------------------------------- */

SIGNATURE(float_signature, "float", POSITIONAL, "(x=0, /)");

static PyObject *float_from(PyObject *x)
{
    if (!x) return PyFloat_FromDouble(0.0);
    return PyUnicode_CheckExact(x) ? PyFloat_FromString(x) : PyNumber_Float(x);
}

static PyObject *float_tp_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *arg[1];
    if (type != &PyFloat_Type && (type->tp_init != PyFloat_Type.tp_init)) kwargs = NULL;    /* __init__ of the subclass takes them */
    if (args_bind_tuple(&float_signature, args, kwargs, arg) < 0) return NULL;
    PyObject *value = float_from(arg[0]);
    if (!value || type == &PyFloat_Type) return value;
    PyObject *result = type->tp_alloc(type, 0);
    if (result) FLOAT_VALUE(result) = FLOAT_VALUE(value);
    Py_DECREF(value);
    return result;
}

static PyObject *float_vectorcall(PyObject *Py_UNUSED(type), PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    PyObject *arg[1];
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    if (LIKELY(nargs == 1 && !kwnames)) return float_from(args[0]);
    if (args_bind(&float_signature, args, nargs, kwnames, arg) < 0) return NULL;
    return float_from(arg[0]);
}

static PyNumberMethods float_as_number = {
    .nb_add = float_add,
    .nb_subtract = float_sub,
    .nb_multiply = float_mul,
    .nb_remainder = float_rem,
    .nb_divmod = float_divmod,
    .nb_power = float_pow,
    .nb_negative = float_neg,
    .nb_positive = float_exact,
    .nb_absolute = float_abs,
    .nb_bool = float_bool,
    .nb_int = float_to_int,
    .nb_float = float_exact,
    .nb_floor_divide = float_floor_div,
    .nb_true_divide = float_div,
};

PyDoc_STRVAR(float_doc, "float(x=0, /)\n--\n\nA floating-point number: the value of a number, or what a string spells.");

PyTypeObject PyFloat_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "float",
    .tp_basicsize = sizeof(PyFloatObject),
    .tp_dealloc = float_dealloc,
    .tp_repr = float_repr,
    .tp_as_number = &float_as_number,
    .tp_hash = float_hash,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | _Py_TPFLAGS_MATCH_SELF,
    .tp_doc = float_doc,
    .tp_richcompare = float_richcompare,
    .tp_methods = float_methods,
    .tp_getset = float_getset,
    .tp_new = float_tp_new,
    .tp_vectorcall = float_vectorcall,
};

/* ---- sys.float_info -------------------------------------------------------------------------------------------------------------------------- */

static PyStructSequence_Field float_info_fields[] = {
    { "max", "DBL_MAX -- the largest finite float" },
    { "max_exp", "DBL_MAX_EXP -- the largest e such that radix**(e-1) is finite" },
    { "max_10_exp", "DBL_MAX_10_EXP -- the largest e such that 10**e is finite" },
    { "min", "DBL_MIN -- the smallest positive normalized float" },
    { "min_exp", "DBL_MIN_EXP -- the smallest e such that radix**(e-1) is normalized" },
    { "min_10_exp", "DBL_MIN_10_EXP -- the smallest e such that 10**e is normalized" },
    { "dig", "DBL_DIG -- decimal digits that survive being stored in a float" },
    { "mant_dig", "DBL_MANT_DIG -- digits of the mantissa" },
    { "epsilon", "DBL_EPSILON -- the distance from 1 to the next float" },
    { "radix", "FLT_RADIX -- the radix of the exponent" },
    { "rounds", "FLT_ROUNDS -- how arithmetic rounds" },
    { NULL, NULL },
};

PyObject *PyFloat_GetInfo(void)
{
    NumberState *state = &interp_get()->objects.numbers;
    if (state->float_info) return Py_NewRef(state->float_info);
    PyStructSequence_Desc description = { "sys.float_info", "What float can represent. Read only.", float_info_fields, 11 };
    PyTypeObject *type = PyStructSequence_NewType(&description);
    PyObject *info = type ? PyStructSequence_New(type) : NULL;
    if (type) type->tp_new = NULL;
    Py_XDECREF(type);
    if (!info) return NULL;
    int at = 0;
    PyStructSequence_SetItem(info, at++, PyFloat_FromDouble(DBL_MAX));
    PyStructSequence_SetItem(info, at++, PyLong_FromLong(DBL_MAX_EXP));
    PyStructSequence_SetItem(info, at++, PyLong_FromLong(DBL_MAX_10_EXP));
    PyStructSequence_SetItem(info, at++, PyFloat_FromDouble(DBL_MIN));
    PyStructSequence_SetItem(info, at++, PyLong_FromLong(DBL_MIN_EXP));
    PyStructSequence_SetItem(info, at++, PyLong_FromLong(DBL_MIN_10_EXP));
    PyStructSequence_SetItem(info, at++, PyLong_FromLong(DBL_DIG));
    PyStructSequence_SetItem(info, at++, PyLong_FromLong(DBL_MANT_DIG));
    PyStructSequence_SetItem(info, at++, PyFloat_FromDouble(DBL_EPSILON));
    PyStructSequence_SetItem(info, at++, PyLong_FromLong(FLT_RADIX));
    PyStructSequence_SetItem(info, at++, PyLong_FromLong(FLT_ROUNDS));
    if (PyErr_Occurred()) Py_CLEAR(info);
    state->float_info = info;
    return Py_XNewRef(info);
}
