/* int to and from C integers, doubles and byte arrays: the PyLong_From* and PyLong_As* functions.
 *
 * The texts of the OverflowErrors differ from function to function; they are CPython's. */
#include "objects/int_private.h"

#include <math.h>
#include <string.h>

/* ---- from C ------------------------------------------------------------------------------------------------------------------ */

PyObject *PyLong_FromLong(long value) { return long_from_i64(thread_get(), value); }
PyObject *PyLong_FromLongLong(long long value) { return long_from_i64(thread_get(), value); }
PyObject *PyLong_FromSsize_t(Py_ssize_t value) { return long_from_i64(thread_get(), value); }

static ALWAYS_INLINE PyObject *from_unsigned(uint64_t value)
{
    if (LIKELY(value <= INT64_MAX)) return long_from_i64(thread_get(), (int64_t)value);
    return long_from_magnitude(thread_get(), value, false);
}

PyObject *PyLong_FromUnsignedLong(unsigned long value) { return from_unsigned(value); }
PyObject *PyLong_FromUnsignedLongLong(unsigned long long value) { return from_unsigned(value); }
PyObject *PyLong_FromSize_t(size_t value) { return from_unsigned(value); }
PyObject *PyLong_FromVoidPtr(void *p) { return from_unsigned((uintptr_t)p); }

PyObject *PyLong_FromDouble(double value)
{
    if (LIKELY(value > -9.2e18 && value < 9.2e18)) return long_from_i64(thread_get(), (int64_t)value);
    if (isnan(value)) {
        PyErr_SetString(PyExc_ValueError, "cannot convert float NaN to integer");
        return NULL;
    }
    if (isinf(value)) {
        PyErr_SetString(PyExc_OverflowError, "cannot convert float infinity to integer");
        return NULL;
    }
    int exponent;
    int64_t mantissa = (int64_t)ldexp(frexp(fabs(value), &exponent), 53);
    PyObject *small = long_from_i64(thread_get(), value < 0 ? -mantissa : mantissa);
    if (!small) return NULL;
    unsigned shift = (unsigned)(exponent - 53);
    PyObject *result = long_lshift_bits(small, shift / PyLong_SHIFT, shift % PyLong_SHIFT);
    Py_DECREF(small);
    return result;
}

PyLongObject *_PyLong_New(Py_ssize_t size)
{
    assert(size >= 0);
    return long_new_digits((size_t)size);
}

PyObject *_PyLong_Copy(PyLongObject *v) { return long_exact(OBJECT(v)); }

PyLongObject *_PyLong_FromDigits(int negative, Py_ssize_t count, digit *digits)
{
    assert(count >= 0);
    PyLongObject *v = long_new_digits((size_t)count);
    if (!v) return NULL;
    memcpy(LONG_DIGITS(v), digits, (size_t)count * sizeof(digit));
    long_set_tag(v, (size_t)count, negative);
    return v;
}

/* ---- to C -------------------------------------------------------------------------------------------------------------------- */

enum Fit { FITS, TOO_SMALL, TOO_LARGE };

/* The value modulo 2^64, and whether it is the value as a signed number. */
static enum Fit as_i64(const PyLongObject *v, int64_t *value)
{
    if (LIKELY(long_is_short(v))) {
        *value = long_short_value(v);
        return FITS;
    }
    size_t n = long_ndigits(v);
    const digit *d = LONG_DIGITS(v);
    bool negative = long_is_negative(v);
    uint64_t magnitude = d[0] | (uint64_t)d[1] << 30 | (uint64_t)d[2] << 60;
    *value = (int64_t)(negative ? 0 - magnitude : magnitude);
    if (n > 3 || d[2] > 15 || magnitude > (uint64_t)INT64_MAX + negative) return negative ? TOO_SMALL : TOO_LARGE;
    return FITS;
}

static enum Fit as_u64(const PyLongObject *v, uint64_t *value)
{
    int64_t low;
    enum Fit fit = as_i64(v, &low);
    *value = (uint64_t)low;
    if (long_is_negative(v)) return TOO_SMALL;
    if (fit == FITS) return FITS;
    return long_ndigits(v) == 3 && LONG_DIGITS(v)[2] <= 15 ? FITS : TOO_LARGE;
}

/* v as an int: itself, or the result of __index__. New reference. */
static PyObject *to_index(PyObject *v)
{
    if (LIKELY(v && PyLong_Check(v))) return Py_NewRef(v);
    if (!v) {
        PyErr_BadInternalCall();
        return NULL;
    }
    return PyNumber_Index(v);
}

static COLD bool require_int(PyObject *v)
{
    if (v && PyLong_Check(v)) return true;
    if (!v) PyErr_BadInternalCall();
    else PyErr_SetString(PyExc_TypeError, "an integer is required");
    return false;
}

long PyLong_AsLongAndOverflow(PyObject *v, int *overflow)
{
    int64_t value;
    *overflow = 0;
    if (LIKELY(v && PyLong_Check(v) && long_is_compact(LONG(v)))) return long_compact_value(LONG(v));
    PyObject *index = to_index(v);
    if (!index) return -1;
    enum Fit fit = as_i64(LONG(index), &value);
    Py_DECREF(index);
    if (fit != FITS) {
        *overflow = fit == TOO_SMALL ? -1 : 1;
        return -1;
    }
    return value;
}

long long PyLong_AsLongLongAndOverflow(PyObject *v, int *overflow) { return PyLong_AsLongAndOverflow(v, overflow); }

long PyLong_AsLong(PyObject *v)
{
    int overflow;
    long value = PyLong_AsLongAndOverflow(v, &overflow);
    if (UNLIKELY(overflow)) PyErr_SetString(PyExc_OverflowError, "Python int too large to convert to C long");
    return value;
}

int PyLong_AsInt(PyObject *v)
{
    int overflow;
    long value = PyLong_AsLongAndOverflow(v, &overflow);
    if (UNLIKELY(overflow || value > INT_MAX || value < INT_MIN)) {
        PyErr_SetString(PyExc_OverflowError, "Python int too large to convert to C int");
        return -1;
    }
    return (int)value;
}

long long PyLong_AsLongLong(PyObject *v)
{
    int64_t value;
    PyObject *index = to_index(v);
    if (!index) return -1;
    enum Fit fit = as_i64(LONG(index), &value);
    Py_DECREF(index);
    if (UNLIKELY(fit != FITS)) {
        PyErr_SetString(PyExc_OverflowError, "int too big to convert");
        return -1;
    }
    return value;
}

Py_ssize_t PyLong_AsSsize_t(PyObject *v)
{
    int64_t value;
    if (UNLIKELY(!v || !PyLong_Check(v))) {
        require_int(v);
        return -1;
    }
    if (UNLIKELY(as_i64(LONG(v), &value) != FITS)) {
        PyErr_SetString(PyExc_OverflowError, "Python int too large to convert to C ssize_t");
        return -1;
    }
    return value;
}

/* Shared by the unsigned conversions that do not call __index__. */
static uint64_t as_unsigned(PyObject *v, const char *negative, const char *large)
{
    uint64_t value;
    if (UNLIKELY(!v || !PyLong_Check(v))) {
        require_int(v);
        return (uint64_t)-1;
    }
    enum Fit fit = as_u64(LONG(v), &value);
    if (LIKELY(fit == FITS)) return value;
    PyErr_SetString(PyExc_OverflowError, fit == TOO_SMALL ? negative : large);
    return (uint64_t)-1;
}

unsigned long PyLong_AsUnsignedLong(PyObject *v)
{
    return as_unsigned(v, "can't convert negative value to unsigned int", "Python int too large to convert to C unsigned long");
}

size_t PyLong_AsSize_t(PyObject *v)
{
    return as_unsigned(v, "can't convert negative value to size_t", "Python int too large to convert to C size_t");
}

unsigned long long PyLong_AsUnsignedLongLong(PyObject *v)
{
    return as_unsigned(v, "can't convert negative int to unsigned", "int too big to convert");
}

unsigned long long PyLong_AsUnsignedLongLongMask(PyObject *v)
{
    int64_t value;
    PyObject *index = to_index(v);
    if (!index) return (unsigned long long)-1;
    as_i64(LONG(index), &value);
    Py_DECREF(index);
    return (unsigned long long)value;
}

unsigned long PyLong_AsUnsignedLongMask(PyObject *v) { return PyLong_AsUnsignedLongLongMask(v); }

void *PyLong_AsVoidPtr(PyObject *v)
{
    if (UNLIKELY(!v || !PyLong_Check(v))) {
        require_int(v);
        return NULL;
    }
    long long value = long_is_negative(LONG(v)) ? PyLong_AsLongLong(v) : (long long)PyLong_AsUnsignedLongLong(v);
    return value == -1 && PyErr_Occurred() ? NULL : (void *)(intptr_t)value;
}

#undef PyUnstable_Long_IsCompact
#undef PyUnstable_Long_CompactValue
PyAPI_FUNC(int) PyUnstable_Long_IsCompact(const PyLongObject *op);
PyAPI_FUNC(Py_ssize_t) PyUnstable_Long_CompactValue(const PyLongObject *op);
int PyUnstable_Long_IsCompact(const PyLongObject *v) { return long_is_compact(v); }
Py_ssize_t PyUnstable_Long_CompactValue(const PyLongObject *v) { return long_compact_value(v); }

int _PyLong_Sign(PyObject *v) { return long_sign(LONG(v)); }

size_t _PyLong_NumBits(PyObject *v)
{
    size_t n = long_ndigits(LONG(v));
    return n ? (n - 1) * PyLong_SHIFT + digit_bits(LONG_DIGITS(v)[n - 1]) : 0;
}

/* ---- bytes -------------------------------------------------------------------------------------------------------------------- */

PyObject *_PyLong_FromByteArray(const unsigned char *bytes, size_t n, int little_endian, int is_signed)
{
    if (!n) return SMALL_INT(0);
    ptrdiff_t step = little_endian ? 1 : -1;
    const unsigned char *low = little_endian ? bytes : bytes + n - 1, *high = low + step * (ptrdiff_t)(n - 1);
    bool negative = is_signed && (*high & 0x80);
    unsigned char pad = negative ? 0xff : 0;
    for (; n > 1 && *high == pad; n--) high -= step;        /* what follows extends with pad */
    if (n <= 8 && !(negative && n == 8)) {    /* fits a word, sign included */
        uint64_t value = 0;
        const unsigned char *p = high;
        for (size_t i = 0; i < n; i++, p -= step) value = value << 8 | *p;
        if (negative) return long_from_magnitude(thread_get(), ((uint64_t)1 << (8 * n)) - value, true);
        return from_unsigned(value);
    }
    if (n > (SIZE_MAX - 64) / 8) {
        PyErr_SetString(PyExc_OverflowError, "byte array too long to convert to int");
        return NULL;
    }
    size_t size = (n * 8 + 1 + PyLong_SHIFT - 1) / PyLong_SHIFT, at = 0;  /* one bit more: -2^(8n) needs it */
    PyLongObject *v = long_new_digits(size);
    if (!v) return NULL;
    digit *d = LONG_DIGITS(v), carry = negative;
    uint64_t window = 0;
    unsigned bits = 0;
    const unsigned char *p = low;
    for (size_t i = 0; at < size; at++) {
        while (bits < PyLong_SHIFT) {
            window |= (uint64_t)(i < n ? *p : pad) << bits;
            if (i < n) p += step;
            i++;
            bits += 8;
        }
        digit value = (digit)window & PyLong_MASK;
        window >>= PyLong_SHIFT;
        bits -= PyLong_SHIFT;
        if (negative) {
            value = (value ^ PyLong_MASK) + carry;
            carry = value >> PyLong_SHIFT;
            value &= PyLong_MASK;
        }
        d[at] = value;
    }
    return long_finish(v, size, negative);
}

int long_to_bytes(const PyLongObject *v, unsigned char *bytes, size_t n, bool little, bool is_signed, bool raise)
{
    bool negative = long_is_negative(v);
    if (negative && !is_signed) {
        if (raise) PyErr_SetString(PyExc_OverflowError, "can't convert negative int to unsigned");
        return -1;
    }
    ptrdiff_t step = little ? 1 : -1;
    unsigned char *p = little ? bytes : bytes + n - (n > 0);
    size_t ndigits = long_ndigits(v), written = 0;
    digit carry = negative;
    uint64_t window = 0;
    unsigned bits = 0;
    unsigned char pad = negative ? 0xff : 0, last = pad;
    bool fits = true;
    for (size_t i = 0; i < ndigits; i++) {
        digit d = LONG_DIGITS(v)[i];
        if (negative) {
            d = (d ^ PyLong_MASK) + carry;
            carry = d >> PyLong_SHIFT;
            d &= PyLong_MASK;
        }
        window |= (uint64_t)d << bits;
        bits += PyLong_SHIFT;
        if (i == ndigits - 1 && negative) window |= ~(uint64_t)0 << bits;  /* sign extension of the last byte */
        bool end = i == ndigits - 1;
        while (bits >= 8 || (end && bits > 0)) {
            unsigned char byte = (unsigned char)window;
            if (written < n) {
                *p = last = byte;
                p += step;
                written++;
            }
            else if (byte != pad) fits = false;
            window >>= 8;
            if (end && negative) window |= (uint64_t)0xff << 56;
            bits = bits >= 8 ? bits - 8 : 0;
        }
    }
    for (; written < n; written++, p += step) *p = last = pad;
    if (is_signed && n && (last & 0x80) != (pad & 0x80)) fits = false;
    if (n == 0 && ndigits) fits = negative && ndigits == 1 && LONG_DIGITS(v)[0] == 1;
    if (fits) return 0;
    if (raise) PyErr_SetString(PyExc_OverflowError, "int too big to convert");
    return -1;
}

int _PyLong_AsByteArray(PyLongObject *v, unsigned char *bytes, size_t n, int little_endian, int is_signed, int with_exceptions)
{
    return long_to_bytes(v, bytes, n, little_endian, is_signed, with_exceptions);
}

/* -1 and other sets of flags to little or big. */
static int flags_little(int flags, bool *little)
{
    int kind = flags == -1 || (flags & 2) ? PY_LITTLE_ENDIAN : flags & 1;
    *little = kind;
    return 0;
}

/* The bytes that hold v in a buffer of n bytes: n when it fits, more otherwise. */
static Py_ssize_t bytes_needed(const PyLongObject *v, const unsigned char *buffer, Py_ssize_t n, int flags, bool little)
{
    size_t bits = _PyLong_NumBits(OBJECT(v));
    if (long_is_compact(v)) {
        if (n <= 0) return (Py_ssize_t)sizeof(Py_ssize_t);
        if (n >= (Py_ssize_t)sizeof(Py_ssize_t)) return (Py_ssize_t)sizeof(Py_ssize_t);
        int64_t value = long_compact_value(v);
        int64_t high = value >> (n * 8 - 1);
        if (high == 0 || high == -1) return n;
        if (value > 0 && !(value >> (n * 8))) return n + !(flags == -1 || (flags & Py_ASNATIVEBYTES_UNSIGNED_BUFFER));
        return (Py_ssize_t)sizeof(Py_ssize_t);
    }
    Py_ssize_t needed = (Py_ssize_t)(bits / 8) + 1;
    if (n > 0 && needed == n + 1 && bits % 8 == 0) {
        const unsigned char *top = buffer + (little ? n - 1 : 0);
        if (long_is_negative(v)) {            /* -2^(8n - 1) fits: 0x80 and zeros */
            bool edge = *top == 0x80;
            for (Py_ssize_t i = 0; i < n && edge; i++) edge = buffer + i == top || buffer[i] == 0;
            if (edge) needed = n;
        }
        else if ((flags == -1 || (flags & Py_ASNATIVEBYTES_UNSIGNED_BUFFER)) && (*top & 0x80)) needed = n;
    }
    return needed;
}

Py_ssize_t PyLong_AsNativeBytes(PyObject *o, void *buffer, Py_ssize_t n, int flags)
{
    if (!o || n < 0) {
        PyErr_BadInternalCall();
        return -1;
    }
    bool little;
    flags_little(flags, &little);
    PyObject *v;
    if (PyLong_Check(o)) v = Py_NewRef(o);
    else if (flags != -1 && (flags & Py_ASNATIVEBYTES_ALLOW_INDEX)) {
        if (!(v = PyNumber_Index(o))) return -1;
    }
    else {
        PyErr_Format(PyExc_TypeError, "expect int, got %T", o);
        return -1;
    }
    if (flags != -1 && (flags & Py_ASNATIVEBYTES_REJECT_NEGATIVE) && long_is_negative(LONG(v))) {
        PyErr_SetString(PyExc_ValueError, "Cannot convert negative int");
        Py_DECREF(v);
        return -1;
    }
    if (n > 0) long_to_bytes(LONG(v), buffer, (size_t)n, little, true, false);
    Py_ssize_t needed = bytes_needed(LONG(v), buffer, n, flags, little);
    Py_DECREF(v);
    return needed;
}

PyObject *PyLong_FromNativeBytes(const void *buffer, size_t n, int flags)
{
    if (!buffer) {
        PyErr_BadInternalCall();
        return NULL;
    }
    bool little;
    flags_little(flags, &little);
    return _PyLong_FromByteArray(buffer, n, little, flags == -1 || !(flags & Py_ASNATIVEBYTES_UNSIGNED_BUFFER));
}

PyObject *PyLong_FromUnsignedNativeBytes(const void *buffer, size_t n, int flags)
{
    if (!buffer) {
        PyErr_BadInternalCall();
        return NULL;
    }
    bool little;
    flags_little(flags, &little);
    return _PyLong_FromByteArray(buffer, n, little, 0);
}
