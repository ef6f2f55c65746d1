/* Floats as bytes (PyFloat_Pack2/4/8 and Unpack) and as hexadecimal text. IEEE 754 binary64 is taken for granted. */
#include "objects/float_private.h"

#include <float.h>
#include <math.h>
#include <string.h>

_Static_assert(sizeof(double) == 8 && DBL_MANT_DIG == 53 && DBL_MAX_EXP == 1024, "IEEE 754 binary64");
_Static_assert(sizeof(float) == 4 && FLT_MANT_DIG == 24, "IEEE 754 binary32");

/* ---- bytes ----------------------------------------------------------------------------------------------------------------------------------- */

static void store(uint64_t bits, size_t n, char *p, int little)
{
    for (size_t i = 0; i < n; i++) p[little ? i : n - 1 - i] = (char)(bits >> (8 * i));
}

static uint64_t load(size_t n, const char *p, int little)
{
    uint64_t bits = 0;
    for (size_t i = 0; i < n; i++) bits |= (uint64_t)(unsigned char)p[little ? i : n - 1 - i] << (8 * i);
    return bits;
}

static COLD int too_large(char code)
{
    PyErr_Format(PyExc_OverflowError, "float too large to pack with %c format", code);
    return -1;
}

int PyFloat_Pack2(double x, char *p, int le)
{
    uint64_t wide;
    memcpy(&wide, &x, 8);
    unsigned sign = (unsigned)(wide >> 63), bits;
    if (x == 0.0) bits = 0;
    else if (isinf(x)) bits = 0x7c00;
    else if (isnan(x)) {
        bits = 0x7c00 | (unsigned)((wide & 0xffc0000000000) >> 42);
        if (bits == 0x7c00) bits |= 1;        /* a payload in the lower bits only: still a nan */
    }
    else {
        int exponent;
        double f = frexp(fabs(x), &exponent) * 2.0;          /* [1, 2) */
        exponent--;
        if (exponent >= 16) return too_large('e');
        if (exponent < -25) f = 0.0, exponent = -15;         /* below half of the smallest subnormal */
        else if (exponent < -14) {                           /* subnormal */
            f = ldexp(f, 14 + exponent);
            exponent = -15;
        }
        else f -= 1.0;
        f *= 1024.0;                          /* the 10 bits, then what decides rounding */
        bits = (unsigned)f;
        f -= bits;
        if (f > 0.5 || (f == 0.5 && (bits & 1))) {
            if (++bits == 1024) {
                bits = 0;
                if (++exponent == 16) return too_large('e');
            }
        }
        bits |= (unsigned)(exponent + 15) << 10;
    }
    store(bits | sign << 15, 2, p, le);
    return 0;
}

int PyFloat_Pack4(double x, char *p, int le)
{
    float y = (float)x;
    uint32_t bits;
    if (isinf(y) && !isinf(x)) return too_large('f');
    memcpy(&bits, &y, 4);
    if (isnan(x)) {                           /* conversion quiets a nan: keep what the payload says */
        uint64_t wide;
        memcpy(&wide, &x, 8);
        if (!(wide & (uint64_t)1 << 51)) {
            bits &= ~((uint32_t)1 << 22);
            if (!(bits & 0x7fffff)) bits |= 1u << 22;
        }
    }
    store(bits, 4, p, le);
    return 0;
}

int PyFloat_Pack8(double x, char *p, int le)
{
    uint64_t bits;
    memcpy(&bits, &x, 8);
    store(bits, 8, p, le);
    return 0;
}

double PyFloat_Unpack2(const char *p, int le)
{
    unsigned bits = (unsigned)load(2, p, le), fraction = bits & 0x3ff;
    int exponent = (int)(bits >> 10 & 31);
    bool negative = bits >> 15;
    if (exponent == 31) {
        if (!fraction) return negative ? -INFINITY : INFINITY;
        uint64_t wide = (uint64_t)negative << 63 | (uint64_t)0x7ff << 52 | (uint64_t)fraction << 42;
        double nan;
        memcpy(&nan, &wide, 8);
        return nan;
    }
    double x = exponent ? ldexp(1024.0 + fraction, exponent - 25) : ldexp(fraction, -24);
    return negative ? -x : x;
}

double PyFloat_Unpack4(const char *p, int le)
{
    uint32_t bits = (uint32_t)load(4, p, le);
    float y;
    memcpy(&y, &bits, 4);
    if (isnan(y) && !(bits & (1u << 22))) {   /* signalling: by hand, so that it stays so */
        uint64_t wide = (uint64_t)(bits >> 31) << 63 | (uint64_t)0x7ff << 52 | (uint64_t)(bits & 0x7fffff) << 29;
        double nan;
        memcpy(&nan, &wide, 8);
        return nan;
    }
    return y;
}

double PyFloat_Unpack8(const char *p, int le)
{
    uint64_t bits = load(8, p, le);
    double x;
    memcpy(&x, &bits, 8);
    return x;
}

/* ---- hexadecimal ------------------------------------------------------------------------------------------------------------------------------ */

PyObject *float_to_hex(double value)
{
    if (isnan(value)) return PyUnicode_FromString("nan");
    if (isinf(value)) return PyUnicode_FromString(value < 0 ? "-inf" : "inf");
    const char *sign = signbit(value) ? "-" : "";
    if (value == 0.0) return PyUnicode_FromFormat("%s0x0.0p+0", sign);
    uint64_t bits;
    memcpy(&bits, &value, 8);
    int biased = (int)(bits >> 52 & 2047), exponent = biased ? biased - 1023 : -1022;
    uint64_t fraction = bits & (((uint64_t)1 << 52) - 1);
    char digits[14];
    for (int i = 0; i < 13; i++) digits[i] = "0123456789abcdef"[fraction >> (48 - 4 * i) & 15];
    digits[13] = 0;
    return PyUnicode_FromFormat("%s0x%d.%sp%s%d", sign, biased ? 1 : 0, digits, exponent < 0 ? "-" : "+", exponent < 0 ? -exponent : exponent);
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

static COLD PyObject *bad_hex(void)
{
    PyErr_SetString(PyExc_ValueError, "invalid hexadecimal floating-point string");
    return NULL;
}

static COLD PyObject *hex_overflow(void)
{
    PyErr_SetString(PyExc_OverflowError, "hexadecimal value too large to represent as a float");
    return NULL;
}

/* [+-][0x]hhh[.hhh][p[+-]ddd], inf, nan; white space around. Rounded to the nearest, ties to even. */
PyObject *float_from_hex(PyObject *string)
{
    Py_ssize_t length;
    const char *p = PyUnicode_AsUTF8AndSize(string, &length), *end;
    if (!p) return NULL;
    end = p + length;
    while (p < end && is_space(*p)) p++;
    while (p < end && is_space(end[-1])) end--;
    bool negative = false;
    if (p < end && (*p == '-' || *p == '+')) negative = *p++ == '-';
    double special, scale = negative ? -1.0 : 1.0;
    if (end - p == 3 && PyOS_mystrnicmp(p, "nan", 3) == 0) {
        special = copysign(NAN, scale);
        return PyFloat_FromDouble(special);
    }
    if ((end - p == 3 && PyOS_mystrnicmp(p, "inf", 3) == 0) || (end - p == 8 && PyOS_mystrnicmp(p, "infinity", 8) == 0))
        return PyFloat_FromDouble(scale * INFINITY);
    if (end - p >= 2 && p[0] == '0' && (p[1] | 0x20) == 'x') p += 2;

    /* the first digits that are not leading zeros go to mantissa (60 bits and a sticky one), the others to the exponent */
    uint64_t mantissa = 0;
    bool any = false, sticky = false, point = false;
    Py_ssize_t exponent = 0;
    for (; p < end; p++) {
        int digit = hex_value(*p);
        if (*p == '.' && !point) {
            point = true;
            continue;
        }
        if (digit < 0) break;
        any = true;
        if (!(mantissa >> 56)) {
            mantissa = mantissa << 4 | (unsigned)digit;
            if (point) exponent -= 4;
        }
        else {
            sticky |= digit != 0;
            if (!point) exponent += 4;
        }
    }
    if (!any) return bad_hex();
    if (p < end && (*p | 0x20) == 'p') {
        bool minus = false;
        int64_t written = 0;
        if (++p < end && (*p == '-' || *p == '+')) minus = *p++ == '-';
        if (p == end || *p < '0' || *p > '9') return bad_hex();
        for (; p < end && *p >= '0' && *p <= '9'; p++) {
            if (written < (int64_t)1 << 60) written = written * 10 + (*p - '0');
            if (written > (int64_t)1 << 60) written = (int64_t)1 << 60;
        }
        exponent += minus ? -written : written;
    }
    if (p != end) return bad_hex();
    if (mantissa == 0) return PyFloat_FromDouble(copysign(0.0, scale));
    int bits = 64 - __builtin_clzll(mantissa);
    if (exponent + bits > DBL_MAX_EXP) return hex_overflow();
    if (exponent + bits < DBL_MIN_EXP - DBL_MANT_DIG) return PyFloat_FromDouble(copysign(0.0, scale));
    Py_ssize_t drop = bits - DBL_MANT_DIG;
    if (DBL_MIN_EXP - DBL_MANT_DIG - exponent > drop) drop = DBL_MIN_EXP - DBL_MANT_DIG - exponent;
    if (drop > 0) {
        uint64_t half = (uint64_t)1 << (drop - 1), rest = mantissa & ((half << 1) - 1);
        mantissa = drop < 64 ? mantissa >> drop : 0;
        if (rest > half || (rest == half && (sticky || (mantissa & 1)))) mantissa++;
        exponent += drop;
    }
    double value = ldexp((double)mantissa, (int)exponent);
    if (isinf(value)) return hex_overflow();
    return PyFloat_FromDouble(copysign(value, scale));
}
