/* complex: pairs of doubles, the type and the _Py_c_* functions. Arithmetic converts real operands to complex first, as
 * CPython 3.13 does; that is visible in the signs of zeros. */
#include "capi/args.h"
#include "objects/float.h"
#include "objects/float_text.h"
#include "objects/format.h"
#include "objects/unicode.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <structmember.h>

#define COMPLEX_VALUE(o) (((PyComplexObject *)(o))->cval)

/* ---- arithmetic ------------------------------------------------------------------------------------------------------------------------------ */

Py_complex _Py_c_sum(Py_complex a, Py_complex b) { return (Py_complex){ a.real + b.real, a.imag + b.imag }; }
Py_complex _Py_c_diff(Py_complex a, Py_complex b) { return (Py_complex){ a.real - b.real, a.imag - b.imag }; }
Py_complex _Py_c_neg(Py_complex a) { return (Py_complex){ -a.real, -a.imag }; }

Py_complex _Py_c_prod(Py_complex a, Py_complex b)
{
    return (Py_complex){ a.real * b.real - a.imag * b.imag, a.real * b.imag + a.imag * b.real };
}

/* Smith's method: divide by the larger component first, so that nothing overflows on the way. errno is EDOM for a zero divisor. */
Py_complex _Py_c_quot(Py_complex a, Py_complex b)
{
    Py_complex r;
    double abs_real = fabs(b.real), abs_imag = fabs(b.imag);
    if (abs_real >= abs_imag) {
        if (abs_real == 0.0) {
            errno = EDOM;
            r.real = r.imag = 0.0;
        }
        else {
            double ratio = b.imag / b.real, divisor = b.real + b.imag * ratio;
            r.real = (a.real + a.imag * ratio) / divisor;
            r.imag = (a.imag - a.real * ratio) / divisor;
        }
    }
    else if (abs_imag >= abs_real) {
        double ratio = b.real / b.imag, divisor = b.real * ratio + b.imag;
        r.real = (a.real * ratio + a.imag) / divisor;
        r.imag = (a.imag * ratio - a.real) / divisor;
    }
    else r.real = r.imag = NAN;               /* a component of b is nan */
    return r;
}

Py_complex _Py_c_pow(Py_complex a, Py_complex b)
{
    Py_complex r;
    if (b.real == 0.0 && b.imag == 0.0) return (Py_complex){ 1.0, 0.0 };
    if (a.real == 0.0 && a.imag == 0.0) {
        if (b.imag != 0.0 || b.real < 0.0) errno = EDOM;
        return (Py_complex){ 0.0, 0.0 };
    }
    double magnitude = hypot(a.real, a.imag), length = pow(magnitude, b.real);
    double angle = atan2(a.imag, a.real), phase = angle * b.real;
    if (b.imag != 0.0) {
        length *= exp(-angle * b.imag);
        phase += b.imag * log(magnitude);
    }
    r.real = length * cos(phase);
    r.imag = length * sin(phase);
    if (isinf(r.real) || isinf(r.imag)) {
        if (errno == 0) errno = ERANGE;
    }
    else if (errno == ERANGE) errno = 0;
    return r;
}

double _Py_c_abs(Py_complex z)
{
    if (!isfinite(z.real) || !isfinite(z.imag)) {
        /* an infinite component makes it infinite, whatever the other one is */
        errno = 0;
        if (isinf(z.real)) return fabs(z.real);
        if (isinf(z.imag)) return fabs(z.imag);
        return NAN;
    }
    double result = hypot(z.real, z.imag);
    errno = isfinite(result) ? 0 : ERANGE;
    return result;
}

/* x ** n for n > 0 by squaring */
static Py_complex power_unsigned(Py_complex x, long n)
{
    Py_complex r = { 1.0, 0.0 }, p = x;
    for (long mask = 1; mask > 0 && n >= mask; mask <<= 1) {
        if (n & mask) r = _Py_c_prod(r, p);
        p = _Py_c_prod(p, p);
    }
    return r;
}

static Py_complex power_int(Py_complex x, long n)
{
    if (n > 0) return power_unsigned(x, n);
    return _Py_c_quot((Py_complex){ 1.0, 0.0 }, power_unsigned(x, -n));
}

/* ---- objects --------------------------------------------------------------------------------------------------------------------------------- */

static PyObject *complex_of_type(PyTypeObject *type, Py_complex value)
{
    PyObject *o = type->tp_alloc(type, 0);
    if (o) COMPLEX_VALUE(o) = value;
    return o;
}

PyObject *PyComplex_FromCComplex(Py_complex value)
{
    PyComplexObject *o = PyObject_New(PyComplexObject, &PyComplex_Type);
    if (o) o->cval = value;
    return (PyObject *)o;
}

PyObject *PyComplex_FromDoubles(double real, double imag) { return PyComplex_FromCComplex((Py_complex){ real, imag }); }

/* The result of __complex__, if the type has one: an instance of complex, new reference. NULL without exception: none. */
static PyObject *call_complex_method(PyObject *o)
{
    PyObject *found = _PyType_Lookup(Py_TYPE(o), STR(__complex__));
    if (!found) return NULL;
    descrgetfunc get = Py_TYPE(found)->tp_descr_get;
    PyObject *method = get ? get(found, o, (PyObject *)Py_TYPE(o)) : Py_NewRef(found);
    if (!method) return NULL;
    PyObject *result = PyObject_CallNoArgs(method);
    Py_DECREF(method);
    if (!result || PyComplex_CheckExact(result)) return result;
    if (!PyComplex_Check(result)) {
        PyErr_Format(PyExc_TypeError, "__complex__ returned non-complex (type %.200s)", Py_TYPE(result)->tp_name);
        Py_DECREF(result);
        return NULL;
    }
    if (PyErr_WarnFormat(PyExc_DeprecationWarning, 1,
                         "__complex__ returned non-complex (type %.200s).  The ability to return an instance of a strict subclass "
                         "of complex is deprecated, and may be removed in a future version of Python.", Py_TYPE(result)->tp_name) < 0) {
        Py_DECREF(result);
        return NULL;
    }
    return result;
}

Py_complex PyComplex_AsCComplex(PyObject *o)
{
    Py_complex value = { -1.0, 0.0 };
    if (PyComplex_Check(o)) return COMPLEX_VALUE(o);
    PyObject *converted = call_complex_method(o);
    if (converted) {
        value = COMPLEX_VALUE(converted);
        Py_DECREF(converted);
        return value;
    }
    if (PyErr_Occurred()) return value;
    value.real = PyFloat_AsDouble(o);
    return value;
}

double PyComplex_RealAsDouble(PyObject *o)
{
    if (PyComplex_Check(o)) return COMPLEX_VALUE(o).real;
    PyObject *converted = call_complex_method(o);
    if (converted) {
        double real = COMPLEX_VALUE(converted).real;
        Py_DECREF(converted);
        return real;
    }
    return PyErr_Occurred() ? -1.0 : PyFloat_AsDouble(o);
}

double PyComplex_ImagAsDouble(PyObject *o)
{
    if (PyComplex_Check(o)) return COMPLEX_VALUE(o).imag;
    PyObject *converted = call_complex_method(o);
    if (converted) {
        double imag = COMPLEX_VALUE(converted).imag;
        Py_DECREF(converted);
        return imag;
    }
    if (PyErr_Occurred()) return -1.0;
    PyFloat_AsDouble(o);                      /* only to complain about what is no number */
    return PyErr_Occurred() ? -1.0 : 0.0;
}

static PyObject *complex_repr(PyObject *o)
{
    Py_complex z = COMPLEX_VALUE(o);
    /* no ".0" in either part */
    if (z.real == 0.0 && copysign(1.0, z.real) == 1.0) {
        char *text = PyOS_double_to_string(z.imag, 'r', 0, 0, NULL);
        if (!text) return NULL;
        PyObject *s = PyUnicode_FromFormat("%sj", text);
        PyMem_Free(text);
        return s;
    }
    char *left = PyOS_double_to_string(z.real, 'r', 0, 0, NULL), *right = left ? PyOS_double_to_string(z.imag, 'r', 0, Py_DTSF_SIGN, NULL) : NULL;
    PyObject *s = NULL;
    if (right) s = PyUnicode_FromFormat("(%s%sj)", left, right);
    PyMem_Free(left);
    PyMem_Free(right);
    return s;
}

static Py_hash_t complex_hash(PyObject *o)
{
    Py_uhash_t real = (Py_uhash_t)_Py_HashDouble(o, COMPLEX_VALUE(o).real), imag = (Py_uhash_t)_Py_HashDouble(o, COMPLEX_VALUE(o).imag);
    Py_uhash_t hash = real + _PyHASH_IMAG * imag;
    return hash == (Py_uhash_t)-1 ? -2 : (Py_hash_t)hash;
}

/* The operand of an operator: 1, 0 (not a number of ours), -1. */
static int operand(PyObject *o, Py_complex *value)
{
    value->imag = 0.0;
    if (PyComplex_Check(o)) {
        *value = COMPLEX_VALUE(o);
        return 1;
    }
    if (PyFloat_Check(o)) {
        value->real = PyFloat_AS_DOUBLE(o);
        return 1;
    }
    if (!PyLong_Check(o)) return 0;
    value->real = PyLong_AsDouble(o);
    return value->real == -1.0 && PyErr_Occurred() ? -1 : 1;
}

#define OPERANDS(a, b, x, y)                         \
    Py_complex x, y;                                 \
    {                                                \
        int status = operand(a, &x);                 \
        if (status > 0) status = operand(b, &y);     \
        if (status < 0) return NULL;                 \
        if (!status) Py_RETURN_NOTIMPLEMENTED;       \
    }

static PyObject *complex_add(PyObject *a, PyObject *b)
{
    OPERANDS(a, b, x, y)
    return PyComplex_FromCComplex(_Py_c_sum(x, y));
}

static PyObject *complex_sub(PyObject *a, PyObject *b)
{
    OPERANDS(a, b, x, y)
    return PyComplex_FromCComplex(_Py_c_diff(x, y));
}

static PyObject *complex_mul(PyObject *a, PyObject *b)
{
    OPERANDS(a, b, x, y)
    return PyComplex_FromCComplex(_Py_c_prod(x, y));
}

static PyObject *complex_div(PyObject *a, PyObject *b)
{
    OPERANDS(a, b, x, y)
    errno = 0;
    Py_complex quotient = _Py_c_quot(x, y);
    if (errno == EDOM) {
        PyErr_SetString(PyExc_ZeroDivisionError, "complex division by zero");
        return NULL;
    }
    return PyComplex_FromCComplex(quotient);
}

static PyObject *complex_pow(PyObject *a, PyObject *b, PyObject *modulus)
{
    OPERANDS(a, b, x, y)
    if (modulus != Py_None) {
        PyErr_SetString(PyExc_ValueError, "complex modulo");
        return NULL;
    }
    errno = 0;
    Py_complex result;
    /* small integer exponents are multiplied out, which keeps exact results exact */
    if (y.imag == 0.0 && y.real == floor(y.real) && fabs(y.real) <= 100.0) {
        result = power_int(x, (long)y.real);
        if (errno != EDOM && (isinf(result.real) || isinf(result.imag))) errno = ERANGE;
        else if (errno != EDOM) errno = 0;
    }
    else result = _Py_c_pow(x, y);
    if (errno == EDOM) {
        PyErr_SetString(PyExc_ZeroDivisionError, "0.0 to a negative or complex power");
        return NULL;
    }
    if (errno == ERANGE) {
        PyErr_SetString(PyExc_OverflowError, "complex exponentiation");
        return NULL;
    }
    return PyComplex_FromCComplex(result);
}

static PyObject *complex_neg(PyObject *o) { return PyComplex_FromCComplex(_Py_c_neg(COMPLEX_VALUE(o))); }
static PyObject *complex_pos(PyObject *o) { return PyComplex_CheckExact(o) ? Py_NewRef(o) : PyComplex_FromCComplex(COMPLEX_VALUE(o)); }
static int complex_bool(PyObject *o) { return COMPLEX_VALUE(o).real != 0.0 || COMPLEX_VALUE(o).imag != 0.0; }

static PyObject *complex_abs(PyObject *o)
{
    double result = _Py_c_abs(COMPLEX_VALUE(o));
    if (errno == ERANGE) {
        PyErr_SetString(PyExc_OverflowError, "absolute value too large");
        return NULL;
    }
    return PyFloat_FromDouble(result);
}

static PyObject *complex_richcompare(PyObject *a, PyObject *b, int op)
{
    if (op != Py_EQ && op != Py_NE) Py_RETURN_NOTIMPLEMENTED;
    Py_complex z = COMPLEX_VALUE(a);
    bool equal;
    if (PyLong_Check(b)) {                    /* exactly, which a conversion would not be */
        if (z.imag != 0.0) equal = false;
        else {
            PyObject *real = PyFloat_FromDouble(z.real);
            if (!real) return NULL;
            PyObject *result = PyObject_RichCompare(real, b, op);
            Py_DECREF(real);
            return result;
        }
    }
    else if (PyFloat_Check(b)) equal = z.real == PyFloat_AS_DOUBLE(b) && z.imag == 0.0;
    else if (PyComplex_Check(b)) equal = z.real == COMPLEX_VALUE(b).real && z.imag == COMPLEX_VALUE(b).imag;
    else Py_RETURN_NOTIMPLEMENTED;
    return PyBool_FromLong(equal == (op == Py_EQ));
}

/* ---- methods ------------------------------------------------------------------------------------------------------------------------------------- */

BUILTIN_NOARGS(complex, conjugate, "($self, /)", "The complex conjugate: the same real part, the imaginary part negated.")
{
    return PyComplex_FromDoubles(COMPLEX_VALUE(self).real, -COMPLEX_VALUE(self).imag);
}

BUILTIN_NOARGS(complex, __complex__, "($self, /)", "The number as an instance of exactly complex.")
{
    return complex_pos(self);
}

BUILTIN_NOARGS(complex, __getnewargs__, "($self, /)", "Arguments for __new__ when it is unpickled.")
{
    return Py_BuildValue("(dd)", COMPLEX_VALUE(self).real, COMPLEX_VALUE(self).imag);
}

BUILTIN_O(complex, __format__, "($self, format_spec, /)", "Text of the number as the specification asks for it.")
{
    if (!PyUnicode_Check(arg)) {
        PyErr_Format(PyExc_TypeError, "__format__() argument must be str, not %.50s", arg == Py_None ? "None" : Py_TYPE(arg)->tp_name);
        return NULL;
    }
    return format_complex(self, arg);
}

static PyMethodDef complex_methods[] = {
    METHOD(complex, conjugate),
    METHOD(complex, __complex__),
    METHOD_UNDOCUMENTED(complex, __getnewargs__),
    METHOD(complex, __format__),
    {0},
};

static PyMemberDef complex_members[] = {
    { "real", Py_T_DOUBLE, offsetof(PyComplexObject, cval.real), Py_READONLY, "the real part of a complex number" },
    { "imag", Py_T_DOUBLE, offsetof(PyComplexObject, cval.imag), Py_READONLY, "the imaginary part of a complex number" },
    {0},
};

/* ---- construction --------------------------------------------------------------------------------------------------------------------------------- */

static bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

/* x, yj, x+yj, in parentheses or not, white space around and inside the parentheses. 1, 0 (malformed), -1. */
static int parse_complex(const char *p, const char *end, Py_complex *value)
{
    double x = 0.0, y = 0.0, number;
    bool parenthesis = false, imaginary = false, overflow;
    while (p < end && is_space(*p)) p++;
    if (p < end && *p == '(') {
        parenthesis = true;
        p++;
        while (p < end && is_space(*p)) p++;
    }
    const char *stop = float_read(p, end, &number, &overflow);
    if (!stop) goto no_memory;
    if (stop != p) {
        p = stop;
        if (p < end && (*p == '+' || *p == '-')) {           /* x then the imaginary part */
            x = number;
            stop = float_read(p, end, &number, &overflow);
            if (!stop) goto no_memory;
            if (stop != p) {
                p = stop;
                y = number;
            }
            else y = *p++ == '+' ? 1.0 : -1.0;               /* x+j */
            imaginary = true;
        }
        else if (p < end && (*p | 0x20) == 'j') {
            y = number;
            imaginary = true;
        }
        else x = number;
    }
    else {                                    /* j, +j, -j */
        y = 1.0;
        if (p < end && (*p == '+' || *p == '-')) y = *p++ == '+' ? 1.0 : -1.0;
        imaginary = true;
    }
    if (imaginary) {
        if (p == end || (*p | 0x20) != 'j') return 0;
        p++;
    }
    while (p < end && is_space(*p)) p++;
    if (parenthesis) {
        if (p == end || *p != ')') return 0;
        p++;
        while (p < end && is_space(*p)) p++;
    }
    value->real = x;
    value->imag = y;
    return p == end;
no_memory:
    PyErr_NoMemory();
    return -1;
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static PyObject *complex_from_text(PyTypeObject *type, PyObject *text)
{
    PyObject *ascii = PyUnicode_IS_ASCII(text) ? Py_NewRef(text) : str_digits_to_ascii(text);
    if (!ascii) return NULL;
    const char *p = (const char *)PyUnicode_1BYTE_DATA(ascii), *end = p + PyUnicode_GET_LENGTH(ascii);
    char *copy = NULL;
    Py_complex value;
    int status = 1;
    if (memchr(p, '_', (size_t)(end - p))) {                 /* underscores between digits */
        char *out = copy = PyMem_Malloc((size_t)(end - p) + 1), before = 0;
        if (!copy) {
            Py_DECREF(ascii);
            return PyErr_NoMemory();
        }
        for (const char *s = p; s < end && status; s++) {
            if (*s == '_') status = is_digit(before);
            else {
                status = before != '_' || is_digit(*s);
                *out++ = *s;
            }
            before = *s;
        }
        if (before == '_') status = 0;
        p = copy;
        end = out;
        if (!status) PyErr_Format(PyExc_ValueError, "could not convert string to complex: %R", text);
    }
    if (status) {
        status = parse_complex(p, end, &value);
        if (!status) PyErr_SetString(PyExc_ValueError, "complex() arg is a malformed string");
    }
    PyMem_Free(copy);
    Py_DECREF(ascii);
    return status > 0 ? complex_of_type(type, value) : NULL;
}

static bool is_real_number(PyObject *o)
{
    PyNumberMethods *m = Py_TYPE(o)->tp_as_number;
    return m && (m->nb_float || m->nb_index);
}

SIGNATURE(complex_signature, "complex", KEYWORDS, "(real=0, imag=0)");

static PyObject *complex_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *arg[2];
    if (args_bind_tuple(&complex_signature, args, kwargs, arg) < 0) return NULL;
    PyObject *r = arg[0] ? arg[0] : SMALL_INT(0), *i = arg[1];
    if (!i && PyComplex_CheckExact(r) && type == &PyComplex_Type) return Py_NewRef(r);
    if (PyUnicode_Check(r)) {
        if (!i) return complex_from_text(type, r);
        PyErr_SetString(PyExc_TypeError, "complex() can't take second arg if first is a string");
        return NULL;
    }
    if (i && PyUnicode_Check(i)) {
        PyErr_SetString(PyExc_TypeError, "complex() second arg can't be a string");
        return NULL;
    }
    PyObject *converted = call_complex_method(r);
    if (!converted && PyErr_Occurred()) return NULL;
    PyObject *real = converted ? converted : r;
    if (!PyComplex_Check(real) && !is_real_number(real)) {
        PyErr_Format(PyExc_TypeError, "complex() first argument must be a string or a number, not '%.200s'", Py_TYPE(r)->tp_name);
        return NULL;
    }
    if (i && !PyComplex_Check(i) && !is_real_number(i)) {
        PyErr_Format(PyExc_TypeError, "complex() second argument must be a number, not '%.200s'", Py_TYPE(i)->tp_name);
        Py_XDECREF(converted);
        return NULL;
    }
    /* real + imag * 1j, where each part may itself be complex */
    Py_complex z = { 0.0, 0.0 }, w = { 0.0, 0.0 };
    bool z_complex = PyComplex_Check(real), w_complex = i && PyComplex_Check(i);
    if (z_complex) z = COMPLEX_VALUE(real);
    else {
        PyObject *number = PyNumber_Float(real);
        if (!number) {
            Py_XDECREF(converted);
            return NULL;
        }
        z.real = PyFloat_AS_DOUBLE(number);
        Py_DECREF(number);
    }
    Py_XDECREF(converted);
    if (w_complex) w = COMPLEX_VALUE(i);
    else if (i) {
        PyObject *number = PyNumber_Float(i);
        if (!number) return NULL;
        w.real = PyFloat_AS_DOUBLE(number);
        Py_DECREF(number);
    }
    if (w_complex) z.real -= w.imag;
    if (z_complex && i) w.real += z.imag;
    if (!i) w.real = z.imag;
    return complex_of_type(type, (Py_complex){ z.real, w.real });
}

static PyNumberMethods complex_as_number = {
    .nb_add = complex_add,
    .nb_subtract = complex_sub,
    .nb_multiply = complex_mul,
    .nb_power = complex_pow,
    .nb_negative = complex_neg,
    .nb_positive = complex_pos,
    .nb_absolute = complex_abs,
    .nb_bool = complex_bool,
    .nb_true_divide = complex_div,
};

PyDoc_STRVAR(complex_doc,
"complex(real=0, imag=0)\n--\n\n"
"A complex number from its parts, or from a string such as '1+2j'.\n"
"\n"
"Each part may be any number; a part that is complex contributes as it should:\n"
"complex(a, b) is a + b*1j.");

PyTypeObject PyComplex_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "complex",
    .tp_basicsize = sizeof(PyComplexObject),
    .tp_repr = complex_repr,
    .tp_as_number = &complex_as_number,
    .tp_hash = complex_hash,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_doc = complex_doc,
    .tp_richcompare = complex_richcompare,
    .tp_methods = complex_methods,
    .tp_members = complex_members,
    .tp_new = complex_new,
    .tp_free = PyObject_Free,
};
