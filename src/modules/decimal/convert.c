/* Decimals from and to everything else. */
#include "decimal_private.h"

#include <complex.h>
#include <math.h>

#define EXACT_LOSS (MPD_Inexact | MPD_Rounded | MPD_Clamped)

PyObject *decimal_alloc(DecimalState *s, PyTypeObject *type)
{
    Decimal *d = LIKELY(type == s->decimal_type) ? PyObject_GC_New(Decimal, type) : DECIMAL(type->tp_alloc(type, 0));
    if (!d) return NULL;
    d->hash = -1;
    d->number = (mpd_t){ MPD_STATIC | MPD_STATIC_DATA, 0, 0, 0, WORDS, d->words };
    return (PyObject *)d;
}

/* The library's word on result, given to the context. result STOLEN. */
static PyObject *finish(DecimalState *s, PyObject *result, PyObject *context, uint32_t status)
{
    if (LIKELY(decimal_raise(s, context, status) == 0)) return result;
    Py_DECREF(result);
    return NULL;
}

/* Where nothing may be lost, a loss is an invalid operation. */
static PyObject *finish_exact(DecimalState *s, PyObject *result, PyObject *context, uint32_t status)
{
    if (status & EXACT_LOSS) mpd_seterror(NUMBER(result), MPD_Invalid_operation, &status);
    return finish(s, result, context, status & MPD_Errors);
}

/* ---- text ------------------------------------------------------------------------------------------------------------------ */

/* ASCII of a str, for the library to read: digits of all scripts, white space at the ends (strip) and underscores (skip) left
 * out. What cannot be in a number gives an empty text, which is a syntax error. Free it. */
static char *ascii_number(PyObject *o, bool strip, bool skip)
{
    Py_ssize_t n = PyUnicode_GET_LENGTH(o), i = 0;
    char *text = PyMem_Malloc((size_t)n + 1), *at = text;
    if (!text) {
        PyErr_NoMemory();
        return NULL;
    }
    if (strip) {
        while (n > 0 && Py_UNICODE_ISSPACE(PyUnicode_READ_CHAR(o, n - 1))) n--;
        while (i < n && Py_UNICODE_ISSPACE(PyUnicode_READ_CHAR(o, i))) i++;
    }
    for (; i < n; i++) {
        Py_UCS4 c = PyUnicode_READ_CHAR(o, i);
        if (skip && c == '_') continue;
        if (c > 0 && c < 128) *at++ = (char)c;
        else if (c && Py_UNICODE_ISSPACE(c)) *at++ = ' ';
        else {
            int digit = c ? Py_UNICODE_TODECIMAL(c) : -1;
            if (digit < 0) {
                *text = 0;
                return text;
            }
            *at++ = (char)('0' + digit);
        }
    }
    *at = 0;
    return text;
}

/* text STOLEN; exactly, or as the context says. */
static PyObject *from_text(DecimalState *s, PyTypeObject *type, char *text, PyObject *context, bool exact)
{
    PyObject *result = text ? decimal_alloc(s, type) : NULL;
    uint32_t status = 0;
    if (result) {
        mpd_context_t max;
        mpd_maxcontext(&max);
        mpd_qset_string(NUMBER(result), text, exact ? &max : MPD_CONTEXT(context), &status);
    }
    PyMem_Free(text);
    if (!result) return NULL;
    return exact ? finish_exact(s, result, context, status) : finish(s, result, context, status);
}

PyObject *decimal_text(PyObject *o, int capitals, bool engineering)
{
    char *text;
    mpd_ssize_t n = engineering ? mpd_to_eng_size(&text, NUMBER(o), capitals) : mpd_to_sci_size(&text, NUMBER(o), capitals);
    if (n < 0) return PyErr_NoMemory();
    PyObject *result = PyUnicode_New(n, 127);
    if (result) memcpy(PyUnicode_DATA(result), text, (size_t)n);
    mpd_free(text);
    return result;
}

/* ---- int and float --------------------------------------------------------------------------------------------------------- */

static PyObject *from_long(DecimalState *s, PyTypeObject *type, PyObject *o, const mpd_context_t *context, uint32_t *status)
{
    PyObject *result = decimal_alloc(s, type);
    if (!result) return NULL;
    int overflow;
    long long value = PyLong_AsLongLongAndOverflow(o, &overflow);
    if (!overflow) mpd_qset_i64(NUMBER(result), value, context, status);
    else {
        const PyLongObject *v = (PyLongObject *)o;
        size_t n = v->long_value.lv_tag >> _PyLong_NON_SIZE_BITS;
        mpd_qimport_u32(NUMBER(result), v->long_value.ob_digit, n, overflow < 0 ? MPD_NEG : MPD_POS, PyLong_BASE, context, status);
    }
    return result;
}

PyObject *decimal_from_long_exact(DecimalState *s, PyTypeObject *type, PyObject *o, PyObject *context)
{
    mpd_context_t max;
    uint32_t status = 0;
    mpd_maxcontext(&max);
    PyObject *result = from_long(s, type, o, &max, &status);
    return result ? finish_exact(s, result, context, status) : NULL;
}

/* m * 2**-k = m * 5**k * 10**-k */
static PyObject *from_fraction(DecimalState *s, PyTypeObject *type, int64_t mantissa, int k, PyObject *context)
{
    mpd_context_t max;
    uint32_t status = 0;
    mpd_uint_t a_words[WORDS], b_words[WORDS];
    mpd_t five = { MPD_STATIC | MPD_STATIC_DATA, 0, 0, 0, WORDS, a_words }, power = { MPD_STATIC | MPD_STATIC_DATA, 0, 0, 0, WORDS, b_words };
    PyObject *result = decimal_alloc(s, type);
    if (!result) return NULL;
    mpd_maxcontext(&max);
    mpd_qset_i64(NUMBER(result), mantissa, &max, &status);
    mpd_qset_uint(&five, 5, &max, &status);
    mpd_qset_uint(&power, (mpd_uint_t)k, &max, &status);
    mpd_qpow(&five, &five, &power, &max, &status);
    mpd_qmul(NUMBER(result), NUMBER(result), &five, &max, &status);
    mpd_del(&five);
    mpd_del(&power);
    NUMBER(result)->exp = -k;
    return finish_exact(s, result, context, status);
}

PyObject *decimal_from_float_exact(DecimalState *s, PyTypeObject *type, PyObject *o, PyObject *context)
{
    double x = PyFloat_AsDouble(o);
    if (x == -1.0 && PyErr_Occurred()) return NULL;
    uint8_t sign = signbit(x) ? MPD_NEG : MPD_POS;
    PyObject *result;
    if (!isfinite(x)) {
        if (!(result = decimal_alloc(s, type))) return NULL;
        mpd_setspecial(NUMBER(result), isnan(x) ? MPD_POS : sign, isnan(x) ? MPD_NAN : MPD_INF);
        return result;
    }
    int exponent;
    double fraction = frexp(fabs(x), &exponent);             /* [0.5, 1) */
    int64_t mantissa = (int64_t)ldexp(fraction, 53);
    exponent -= 53;
    while (mantissa && !(mantissa & 1) && exponent < 0) {
        mantissa >>= 1;
        exponent++;
    }
    if (exponent >= 0) {
        PyObject *whole = PyLong_FromDouble(fabs(x));
        if (!whole) return NULL;
        result = decimal_from_long_exact(s, type, whole, context);
        Py_DECREF(whole);
    }
    else result = mantissa ? from_fraction(s, type, mantissa, -exponent, context) : decimal_alloc(s, type);
    if (!result) return NULL;
    if (!mantissa) {
        mpd_context_t max;
        uint32_t status = 0;
        mpd_maxcontext(&max);
        mpd_qset_i64(NUMBER(result), 0, &max, &status);
    }
    mpd_set_sign(NUMBER(result), sign);
    return result;
}

PyObject *decimal_from_float_rounded(DecimalState *s, PyTypeObject *type, PyObject *o, PyObject *context)
{
    PyObject *result = PyLong_Check(o) ? decimal_from_long_exact(s, type, o, context) : NULL;
    if (!result) {
        if (PyErr_Occurred()) return NULL;
        if (!PyFloat_Check(o)) {
            PyErr_SetString(PyExc_TypeError, "argument must be int or float");
            return NULL;
        }
        if (!(result = decimal_from_float_exact(s, type, o, context))) return NULL;
    }
    uint32_t status = 0;
    mpd_qfinalize(NUMBER(result), MPD_CONTEXT(context), &status);
    return finish(s, result, context, status);
}

PyObject *decimal_to_float(PyObject *o, PyObject *context)
{
    const mpd_t *d = NUMBER(o);
    if (mpd_isnan(d)) {
        if (mpd_issnan(d)) {
            PyErr_SetString(PyExc_ValueError, "cannot convert signaling NaN to float");
            return NULL;
        }
        return PyFloat_FromDouble(copysign((double)NAN, mpd_isnegative(d) ? -1.0 : 1.0));
    }
    PyObject *text = decimal_text(o, CONTEXT(context)->capitals, false), *result = text ? PyFloat_FromString(text) : NULL;
    Py_XDECREF(text);
    return result;
}

/* The int that a whole number is. */
static PyObject *whole_to_long(const mpd_t *d, uint32_t *status)
{
    uint16_t *words = NULL;
    size_t n = mpd_qexport_u16(&words, 0, 1 << 16, d, status);
    if (n == SIZE_MAX) return PyErr_NoMemory();
    PyObject *result = PyLong_FromUnsignedNativeBytes(words, n * 2, Py_ASNATIVEBYTES_LITTLE_ENDIAN);
    mpd_free(words);
    if (result && mpd_isnegative(d)) Py_SETREF(result, PyNumber_Negative(result));
    return result;
}

PyObject *decimal_to_long(DecimalState *s, PyObject *o, PyObject *context, int rounding)
{
    const mpd_t *d = NUMBER(o);
    if (mpd_isspecial(d)) {
        if (mpd_isnan(d)) PyErr_SetString(PyExc_ValueError, "cannot convert NaN to integer");
        else PyErr_SetString(PyExc_OverflowError, "cannot convert Infinity to integer");
        return NULL;
    }
    if (d->exp >= 0 && d->len == 1 && d->exp == 0 && d->data[0] <= INT64_MAX) {
        long long value = (long long)d->data[0];
        return PyLong_FromLongLong(mpd_isnegative(d) ? -value : value);
    }
    mpd_t *whole = mpd_qnew();
    if (!whole) return PyErr_NoMemory();
    mpd_context_t work = *MPD_CONTEXT(context);
    uint32_t status = 0;
    work.round = rounding;
    mpd_qround_to_int(whole, d, &work, &status);
    PyObject *result = decimal_raise(s, context, status) < 0 ? NULL : whole_to_long(whole, &status);
    mpd_del(whole);
    return result;
}

PyObject *decimal_to_ratio(DecimalState *s, PyObject *o, PyObject *context)
{
    const mpd_t *d = NUMBER(o);
    if (mpd_isspecial(d)) {
        if (mpd_isnan(d)) PyErr_SetString(PyExc_ValueError, "cannot convert NaN to integer ratio");
        else PyErr_SetString(PyExc_OverflowError, "cannot convert Infinity to integer ratio");
        return NULL;
    }
    mpd_t coefficient = *d;                   /* borrows the words */
    coefficient.flags |= MPD_SHARED_DATA | MPD_STATIC;
    coefficient.exp = 0;
    uint32_t status = 0;
    PyObject *n = whole_to_long(&coefficient, &status), *ten = PyLong_FromLong(10), *exponent = NULL, *power = NULL, *denominator = NULL, *result = NULL;
    if (!n || !ten || !(exponent = PyLong_FromSsize_t(mpd_iszero(d) ? 0 : d->exp < 0 ? -d->exp : d->exp)) ||
        !(power = PyNumber_Power(ten, exponent, Py_None))) goto done;
    if (d->exp >= 0) {
        Py_SETREF(n, PyNumber_Multiply(n, power));
        denominator = PyLong_FromLong(1);
    }
    else {
        PyObject *gcd = _PyLong_GCD(n, power);
        if (!gcd) goto done;
        Py_SETREF(n, PyNumber_FloorDivide(n, gcd));
        denominator = PyNumber_FloorDivide(power, gcd);
        Py_DECREF(gcd);
    }
    if (n && denominator) result = PyTuple_Pack(2, n, denominator);
done:
    Py_XDECREF(n);
    Py_XDECREF(ten);
    Py_XDECREF(exponent);
    Py_XDECREF(power);
    Py_XDECREF(denominator);
    return result;
}

/* ---- tuples ---------------------------------------------------------------------------------------------------------------- */

static PyObject *as_tuple(PyObject *o, PyObject *error, const char *text)
{
    if (PyTuple_Check(o)) return Py_NewRef(o);
    if (PyList_Check(o)) return PyList_AsTuple(o);
    PyErr_SetString(error, text);
    return NULL;
}

static char *value_error(const char *text)
{
    PyErr_SetString(PyExc_ValueError, text);
    return NULL;
}

/* The digits of a coefficient behind what is in text already. */
static char *put_digits(char *at, PyObject *digits)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(digits); i++) {
        PyObject *digit = PyTuple_GET_ITEM(digits, i);
        if (!PyLong_Check(digit)) return value_error("coefficient must be a tuple of digits");
        long value = PyLong_AsLong(digit);
        if (value == -1 && PyErr_Occurred()) return NULL;
        if (value < 0 || value > 9) return value_error("coefficient must be a tuple of digits");
        *at++ = (char)('0' + value);
    }
    return at;
}

/* (sign, digits, exponent) as text for the library. */
static char *tuple_text(PyObject *triple)
{
    if (PyTuple_GET_SIZE(triple) != 3) return value_error("argument must be a sequence of length 3");
    PyObject *sign = PyTuple_GET_ITEM(triple, 0), *exponent = PyTuple_GET_ITEM(triple, 2);
    const char *special = "";
    Py_ssize_t exp = 0;
    if (!PyLong_Check(sign)) return value_error("sign must be an integer with the value 0 or 1");
    long negative = PyLong_AsLong(sign);
    if (negative == -1 && PyErr_Occurred()) return NULL;
    if (negative != 0 && negative != 1) return value_error("sign must be an integer with the value 0 or 1");
    if (PyUnicode_Check(exponent)) {
        if (PyUnicode_EqualToUTF8(exponent, "F")) special = "Inf";
        else if (PyUnicode_EqualToUTF8(exponent, "n")) special = "NaN";
        else if (PyUnicode_EqualToUTF8(exponent, "N")) special = "sNaN";
        else return value_error("string argument in the third position must be 'F', 'n' or 'N'");
    }
    else if (!PyLong_Check(exponent)) return value_error("exponent must be an integer");
    else if ((exp = PyLong_AsSsize_t(exponent)) == -1 && PyErr_Occurred()) return NULL;
    PyObject *digits = as_tuple(PyTuple_GET_ITEM(triple, 1), PyExc_ValueError, "coefficient must be a tuple of digits");
    if (!digits) return NULL;
    Py_ssize_t n = PyTuple_GET_SIZE(digits);
    char *text = PyMem_Malloc((size_t)n + 48), *at = text;
    if (!text) PyErr_NoMemory();
    else {
        at += PyOS_snprintf(at, 8, "%s%s", negative ? "-" : "", special);
        if (*special != 'I' && (at = put_digits(at, digits)) && !*special && n == 0) *at++ = '0';
        if (at && !*special) PyOS_snprintf(at, 40, "E%zd", exp);
        else if (at) *at = 0;
        else {
            PyMem_Free(text);
            text = NULL;
        }
    }
    Py_DECREF(digits);
    return text;
}

static PyObject *from_tuple(DecimalState *s, PyTypeObject *type, PyObject *o, PyObject *context, bool exact)
{
    PyObject *triple = as_tuple(o, PyExc_TypeError, "argument must be a tuple or list");
    char *text = triple ? tuple_text(triple) : NULL;
    Py_XDECREF(triple);
    return text ? from_text(s, type, text, context, exact) : NULL;
}

PyObject *decimal_to_tuple(DecimalState *s, PyObject *o)
{
    const mpd_t *d = NUMBER(o);
    PyObject *digits, *exponent, *sign = PyLong_FromLong(mpd_sign(d)), *result = NULL;
    if (mpd_isinfinite(d)) {
        digits = Py_BuildValue("(i)", 0);
        exponent = PyUnicode_FromString("F");
    }
    else {
        Py_ssize_t n = mpd_isnan(d) && !d->len ? 0 : d->digits;
        exponent = mpd_isnan(d) ? PyUnicode_FromString(mpd_isqnan(d) ? "n" : "N") : PyLong_FromSsize_t(d->exp);
        digits = PyTuple_New(n);
        for (Py_ssize_t i = 0; digits && i < n; i++) {       /* from the last digit on */
            mpd_uint_t word = d->data[i / MPD_RDIGITS];
            for (Py_ssize_t k = i % MPD_RDIGITS; k > 0; k--) word /= 10;
            PyTuple_SET_ITEM(digits, n - 1 - i, PyLong_FromLong((long)(word % 10)));
        }
    }
    if (sign && digits && exponent) result = PyObject_CallFunctionObjArgs(s->tuple_type, sign, digits, exponent, NULL);
    Py_XDECREF(sign);
    Py_XDECREF(digits);
    Py_XDECREF(exponent);
    return result;
}

/* ---- any object -------------------------------------------------------------------------------------------------------------- */

static PyObject *decimal_from_decimal_exact(DecimalState *s, PyTypeObject *type, PyObject *o, PyObject *context)
{
    if (type == s->decimal_type && is_exact_decimal(o)) return Py_NewRef(o);
    PyObject *result = decimal_alloc(s, type);
    uint32_t status = 0;
    if (!result) return NULL;
    mpd_qcopy(NUMBER(result), NUMBER(o), &status);
    return finish(s, result, context, status);
}

static PyObject *refuse(PyObject *o)
{
    PyErr_Format(PyExc_TypeError, "conversion from %s to Decimal is not supported", Py_TYPE(o)->tp_name);
    return NULL;
}

PyObject *decimal_from_exact(DecimalState *s, PyTypeObject *type, PyObject *o, PyObject *context)
{
    if (!o) {
        PyObject *zero = PyLong_FromLong(0), *result = zero ? decimal_from_long_exact(s, type, zero, context) : NULL;
        Py_XDECREF(zero);
        return result;
    }
    if (is_decimal(s, o)) return decimal_from_decimal_exact(s, type, o, context);
    if (PyUnicode_Check(o)) return from_text(s, type, ascii_number(o, true, true), context, true);
    if (PyLong_Check(o)) return decimal_from_long_exact(s, type, o, context);
    if (PyTuple_Check(o) || PyList_Check(o)) return from_tuple(s, type, o, context, true);
    if (!PyFloat_Check(o)) return refuse(o);
    return decimal_raise(s, context, FLOAT_OPERATION) < 0 ? NULL : decimal_from_float_exact(s, type, o, context);
}

PyObject *decimal_from(DecimalState *s, PyTypeObject *type, PyObject *o, PyObject *context)
{
    uint32_t status = 0;
    PyObject *result;
    if (!o) return decimal_from_exact(s, type, NULL, context);
    if (is_decimal(s, o)) {
        mpd_context_t *c = MPD_CONTEXT(context);
        if (mpd_isnan(NUMBER(o)) && NUMBER(o)->digits > c->prec - c->clamp) {
            if (!(result = decimal_alloc(s, type))) return NULL;
            mpd_seterror(NUMBER(result), MPD_Conversion_syntax, &status);       /* too many digits of payload */
            return finish(s, result, context, status);
        }
        if (!(result = decimal_alloc(s, type))) return NULL;
        if (mpd_qcopy(NUMBER(result), NUMBER(o), &status)) mpd_qfinalize(NUMBER(result), c, &status);
        return finish(s, result, context, status);
    }
    if (PyUnicode_Check(o)) return from_text(s, type, ascii_number(o, false, false), context, false);
    if (PyLong_Check(o)) {
        result = from_long(s, type, o, MPD_CONTEXT(context), &status);
        return result ? finish(s, result, context, status) : NULL;
    }
    if (PyTuple_Check(o) || PyList_Check(o)) return from_tuple(s, type, o, context, false);
    if (!PyFloat_Check(o)) return refuse(o);
    return decimal_raise(s, context, FLOAT_OPERATION) < 0 ? NULL : decimal_from_float_rounded(s, type, o, context);
}

PyObject *decimal_operand(DecimalState *s, PyObject *o, PyObject *context)
{
    if (LIKELY(is_decimal(s, o))) return Py_NewRef(o);
    return PyLong_Check(o) ? decimal_from_long_exact(s, s->decimal_type, o, context) : refuse(o);
}

/* ---- comparison and hash ------------------------------------------------------------------------------------------------------- */

/* v * r.denominator and r.numerator. */
static int rational_operands(DecimalState *s, PyObject *v, PyObject *r, PyObject *context, PyObject **a, PyObject **b)
{
    PyObject *numerator = PyObject_GetAttrString(r, "numerator"), *denominator = numerator ? PyObject_GetAttrString(r, "denominator") : NULL;
    PyObject *factor = NULL;
    int status_code = -1;
    *a = *b = NULL;
    if (!denominator) goto done;
    if (!PyLong_Check(numerator) || !PyLong_Check(denominator)) {
        PyErr_SetString(PyExc_TypeError, "numerator and denominator must be integers");
        goto done;
    }
    if (!(factor = decimal_from_long_exact(s, s->decimal_type, denominator, context)) || !(*a = decimal_new(s))) goto done;
    mpd_t scaled = *NUMBER(v);                /* the exponent waits outside, where it cannot overflow */
    scaled.flags |= MPD_SHARED_DATA | MPD_STATIC;
    uint32_t status = 0;
    mpd_context_t max;
    mpd_maxcontext(&max);
    if (mpd_isspecial(NUMBER(v))) mpd_qcopy(NUMBER(*a), NUMBER(v), &status);
    else {
        scaled.exp = 0;
        mpd_qmul(NUMBER(*a), &scaled, NUMBER(factor), &max, &status);
        if (status & (MPD_Inexact | MPD_Rounded)) {
            PyErr_SetString(PyExc_ValueError, "exact conversion for comparison failed");
            goto done;
        }
        NUMBER(*a)->exp += NUMBER(v)->exp;
    }
    if (decimal_raise(s, context, status & MPD_Malloc_error) == 0 && (*b = decimal_from_long_exact(s, s->decimal_type, numerator, context))) status_code = 0;
done:
    Py_XDECREF(numerator);
    Py_XDECREF(denominator);
    Py_XDECREF(factor);
    if (status_code < 0) Py_CLEAR(*a);
    return status_code;
}

int decimal_compare_operands(DecimalState *s, PyObject *v, PyObject *w, int op, PyObject *context, PyObject **a, PyObject **b)
{
    bool equality = op == Py_EQ || op == Py_NE;
    *a = *b = NULL;
    if (LIKELY(is_decimal(s, w))) *b = Py_NewRef(w);
    else if (PyLong_Check(w)) *b = decimal_from_long_exact(s, s->decimal_type, w, context);
    else if (PyComplex_Check(w) && equality) {
        Py_complex c = PyComplex_AsCComplex(w);
        if (PyErr_Occurred()) return -1;
        if (c.imag != 0.0) return 1;
        PyObject *real = PyFloat_FromDouble(c.real);
        if (!real) return -1;
        MPD_CONTEXT(context)->status |= FLOAT_OPERATION;
        *b = decimal_from_float_exact(s, s->decimal_type, real, context);
        Py_DECREF(real);
    }
    else if (PyFloat_Check(w)) {
        if (equality) MPD_CONTEXT(context)->status |= FLOAT_OPERATION;     /* comparing for equality never traps */
        else if (decimal_raise(s, context, FLOAT_OPERATION) < 0) return -1;
        *b = decimal_from_float_exact(s, s->decimal_type, w, context);
    }
    else {
        int rational = PyObject_IsInstance(w, s->rational);
        if (rational <= 0) return rational < 0 ? -1 : 1;
        return rational_operands(s, v, w, context, a, b);
    }
    if (!*b) return -1;
    *a = Py_NewRef(v);
    return 0;
}

enum { HASH_BITS = 61 };
#define HASH_PRIME (((uint64_t)1 << HASH_BITS) - 1)

static uint64_t multiply(uint64_t a, uint64_t b) { return (uint64_t)((unsigned __int128)a * b % HASH_PRIME); }

Py_hash_t decimal_hash_of(PyObject *o)
{
    const mpd_t *d = NUMBER(o);
    if (mpd_isspecial(d)) {
        if (mpd_issnan(d)) {
            PyErr_SetString(PyExc_TypeError, "Cannot hash a signaling NaN value");
            return -1;
        }
        if (mpd_isnan(d)) return PyBaseObject_Type.tp_hash(o);
        return mpd_isnegative(d) ? -314159 : 314159;
    }
    /* 10**exp modulo the prime; for a negative exponent with the inverse of ten, which is ten**(p - 2) */
    uint64_t hash = 0, power = 1, base = 10, exponent = (uint64_t)(d->exp < 0 ? -d->exp : d->exp) % (HASH_PRIME - 1);
    if (d->exp < 0 && exponent) exponent = HASH_PRIME - 1 - exponent;
    for (; exponent; exponent >>= 1, base = multiply(base, base)) if (exponent & 1) power = multiply(power, base);
    for (mpd_ssize_t i = d->len; i-- > 0;) hash = (uint64_t)(((unsigned __int128)hash * MPD_RADIX + d->data[i]) % HASH_PRIME);
    hash = multiply(hash, power);
    Py_hash_t result = mpd_isnegative(d) ? -(Py_hash_t)hash : (Py_hash_t)hash;
    return result == -1 ? -2 : result;
}

/* ---- format ------------------------------------------------------------------------------------------------------------------- */

/* A separator of the locale as UTF-8. */
static PyObject *locale_text(const char *text)
{
    wchar_t wide[2];
    if (mbstowcs(wide, text, 2) != 1) {
        PyErr_SetString(PyExc_ValueError, "invalid decimal point or unsupported combination of LC_CTYPE and LC_NUMERIC");
        return NULL;
    }
    PyObject *o = PyUnicode_FromWideChar(wide, 1), *utf8 = o ? PyUnicode_AsUTF8String(o) : NULL;
    Py_XDECREF(o);
    return utf8;
}

static int override(PyObject *dict, const char *name, const char **place, PyObject **owner)
{
    PyObject *value = PyDict_GetItemString(dict, name);
    if (!value) return 0;
    if (!PyUnicode_Check(value) || !(*owner = PyUnicode_AsUTF8String(value))) {
        if (!PyErr_Occurred()) PyErr_SetString(PyExc_ValueError, "invalid override dict");
        return -1;
    }
    *place = PyBytes_AS_STRING(*owner);
    return 0;
}

/* What the library's formats lack, the implementation in Python has. */
static PyObject *format_otherwise(PyObject *o, PyObject *fmt, PyObject *context)
{
    PyObject *module = PyImport_ImportModule("_pydecimal"), *text = module ? decimal_text(o, CONTEXT(context)->capitals, false) : NULL;
    PyObject *number = text ? PyObject_CallMethod(module, "Decimal", "O", text) : NULL;
    PyObject *result = number ? PyObject_CallMethod(number, "__format__", "OO", fmt, context) : NULL;
    if (!result && PyErr_ExceptionMatches(PyExc_ValueError)) PyErr_SetString(PyExc_ValueError, "invalid format string");
    Py_XDECREF(module);
    Py_XDECREF(text);
    Py_XDECREF(number);
    return result;
}

PyObject *decimal_format(DecimalState *s, PyObject *o, PyObject *const *args, Py_ssize_t nargs)
{
    mpd_spec_t spec;
    PyObject *context = NULL, *result = NULL, *dot = NULL, *separator = NULL, *grouping = NULL;
    char *fmt = NULL, *text = NULL;
    bool nul_fill = false;
    uint32_t status = 0;
    Py_ssize_t size;
    if (nargs < 1 || nargs > 2) return PyErr_Format(PyExc_TypeError, "function takes %s (%zd given)", nargs < 1 ? "at least 1 argument" : "at most 2 arguments", nargs);
    if (!PyUnicode_Check(args[0])) return PyErr_Format(PyExc_TypeError, "format arg must be str");
    if (nargs > 1 && !PyDict_Check(args[1])) return PyErr_Format(PyExc_TypeError, "optional argument must be a dict");
    const char *given = PyUnicode_AsUTF8AndSize(args[0], &size);
    if (!given || !(context = context_current(s))) return NULL;
    if (!(fmt = PyMem_Malloc((size_t)size + 1))) {
        PyErr_NoMemory();
        goto done;
    }
    memcpy(fmt, given, (size_t)size + 1);
    if (size > 0 && fmt[size - 1] == 'N') {
        if (PyErr_WarnEx(PyExc_DeprecationWarning, "Format specifier 'N' is deprecated", 1) < 0) goto done;
    }
    if (size > 0 && fmt[0] == 0) {            /* the library reads up to the first NUL */
        nul_fill = true;
        fmt[0] = '_';
    }
    if (strlen(fmt) != (size_t)size || !mpd_parse_fmt_str(&spec, fmt, CONTEXT(context)->capitals)) {
        result = format_otherwise(o, args[0], context);
        goto done;
    }
    if (nul_fill) spec.fill[0] = '_';
    if (nargs > 1) {
        if (override(args[1], "decimal_point", &spec.dot, &dot) < 0 || override(args[1], "thousands_sep", &spec.sep, &separator) < 0 ||
            override(args[1], "grouping", &spec.grouping, &grouping) < 0) goto done;
        if (mpd_validate_lconv(&spec) < 0) {
            PyErr_SetString(PyExc_ValueError, "invalid override dict");
            goto done;
        }
    }
    else {
        size_t n = strlen(spec.dot);
        if (n > 1 || (n == 1 && (unsigned char)spec.dot[0] > 127)) {
            if (!(dot = locale_text(spec.dot))) goto done;
            spec.dot = PyBytes_AS_STRING(dot);
        }
        n = strlen(spec.sep);
        if (n > 1 || (n == 1 && (unsigned char)spec.sep[0] > 127)) {
            if (!(separator = locale_text(spec.sep))) goto done;
            spec.sep = PyBytes_AS_STRING(separator);
        }
    }
    text = mpd_qformat_spec(NUMBER(o), &spec, MPD_CONTEXT(context), &status);
    if (!text) {
        if (status & MPD_Malloc_error) PyErr_NoMemory();
        else PyErr_SetString(PyExc_ValueError, "format specification exceeds internal limits of _decimal");
        goto done;
    }
    size = (Py_ssize_t)strlen(text);
    if (nul_fill) for (Py_ssize_t i = 0; i < size; i++) if (text[i] == '_') text[i] = 0;
    result = PyUnicode_DecodeUTF8(text, size, NULL);
done:
    if (text) mpd_free(text);
    PyMem_Free(fmt);
    Py_XDECREF(context);
    Py_XDECREF(dot);
    Py_XDECREF(separator);
    Py_XDECREF(grouping);
    return result;
}
