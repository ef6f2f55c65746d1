/* Floats to and from decimal text. See float_text.h.
 *
 * Shortest digits: Schubfach (R. Giulietti, "The Schubfach way to render doubles"): the ends of the interval of numbers that
 * round to the value, scaled by a power of ten that is known to 126 bits, decide with integer arithmetic alone.
 * A given number of digits: exact products of machine words where they suffice, else the C library, which is exact too; its
 * decimal point (that of the locale) is skipped. Parsing: one exact operation where mantissa and power are exact, else
 * strtod on a text without decimal point. */
#include "objects/float_text.h"

#include <errno.h>
#include <float.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- shortest digits ------------------------------------------------------------------------------------------------------------------------ */

typedef struct Power { uint64_t high, low; } Power;

enum { POWER_MIN = -292 };
static const Power powers[] = {
#define POWER(high, low) { high, low },
#include "objects/float_powers.def"
#undef POWER
};

static inline int floor_div_pow2(int e, int n) { return e >> n; }
static inline int floor_log2_pow10(int e) { return floor_div_pow2(e * 1741647, 19); }

/* The product's upper part, with its lowest bit set when anything was cut off. */
static inline uint64_t round_to_odd(Power g, uint64_t c)
{
    unsigned __int128 x = (unsigned __int128)g.low * c, y = (unsigned __int128)g.high * c + (uint64_t)(x >> 64);
    return (uint64_t)(y >> 64) | ((uint64_t)y > 1);
}

typedef struct Decimal { uint64_t digits; int exponent; } Decimal;

static Decimal schubfach(uint64_t fraction, int biased)
{
    uint64_t c = biased ? fraction | (uint64_t)1 << 52 : fraction;
    int q = (biased ? biased : 1) - 1075;
    if (biased && q <= 0 && q > -53 && !(c & (((uint64_t)1 << -q) - 1))) return (Decimal){ c >> -q, 0 };    /* an integer */
    bool even = !(c & 1), closer_below = fraction == 0 && biased > 1;
    uint64_t cbl = 4 * c - 2 + closer_below, cb = 4 * c, cbr = 4 * c + 2;
    int k = floor_div_pow2(q * 1262611 - (closer_below ? 524031 : 0), 22);
    int h = q + floor_log2_pow10(-k) + 1;
    Power g = powers[-k - POWER_MIN];
    uint64_t lower = round_to_odd(g, cbl << h) + !even, v = round_to_odd(g, cb << h), upper = round_to_odd(g, cbr << h) - !even;
    uint64_t s = v / 4;
    if (s >= 10) {                            /* one digit less? */
        uint64_t t = s / 10;
        bool below = lower <= 40 * t, above = 40 * t + 40 <= upper;
        if (below != above) return (Decimal){ t + above, k + 1 };
    }
    bool below = lower <= 4 * s, above = 4 * s + 4 <= upper;
    if (below != above) return (Decimal){ s + above, k };
    uint64_t middle = 4 * s + 2;
    return (Decimal){ s + (v > middle || (v == middle && (s & 1))), k };
}

static int write_digits(uint64_t value, char *out)
{
    char buffer[20], *p = buffer + sizeof buffer;
    do {
        *--p = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    int n = (int)(buffer + sizeof buffer - p);
    memcpy(out, p, (size_t)n);
    return n;
}

/* The shortest digits that read back as value, which is finite and not zero: value = 0.d1d2d3... * 10 ** *point.
 * Returns how many; no zeros at either end. */
static int float_shortest(double value, char digits[FLOAT_DIGITS_MAX], int *point)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    Decimal d = schubfach(bits & (((uint64_t)1 << 52) - 1), (int)(bits >> 52 & 2047));
    char buffer[20];
    int n = write_digits(d.digits, buffer);
    *point = n + d.exponent;
    while (buffer[n - 1] == '0') n--;
    assert(n <= FLOAT_DIGITS_MAX);
    memcpy(digits, buffer, (size_t)n);
    return n;
}

/* ---- digits to a precision --------------------------------------------------------------------------------------------------------------------- */

static const uint64_t integer_powers[] = {
    1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000, 10000000000, 100000000000, 1000000000000,
    10000000000000, 100000000000000, 1000000000000000,
};

bool float_scaled(double value, int places, uint64_t *result)
{
    int exponent;
    if (places < 0 || places > 15 || !(value < 9e15)) return false;
    if (value == 0.0) {
        *result = 0;
        return true;
    }
    uint64_t mantissa = (uint64_t)ldexp(frexp(value, &exponent), 53);
    int shift = 53 - exponent;                /* value = mantissa / 2^shift; mantissa * 10^15 < 2^103 */
    unsigned __int128 product = (unsigned __int128)mantissa * integer_powers[places];
    if (shift <= 0) product <<= -shift;
    else if (shift > 110) product = 0;
    else {
        unsigned __int128 half = (unsigned __int128)1 << (shift - 1), rest = product & ((half << 1) - 1);
        product >>= shift;
        if (rest > half || (rest == half && (product & 1))) product++;
    }
    if (product >> 63) return false;
    *result = (uint64_t)product;
    return true;
}

/* Decimal digits of a finite value, as many as asked for. */
typedef struct Digits {
    char *text;                               /* local, or from PyMem_Malloc */
    int length;                               /* without zeros at the end; at least 1 */
    int point;                                /* position of the decimal point */
    char local[64];
} Digits;

static void digits_free(Digits *d)
{
    if (d->text != d->local) PyMem_Free(d->text);
}

/* Takes digits out of what printf made, whatever it uses as decimal point; a leading 0. and zeros move the point. */
static void digits_collect(Digits *d, const char *printed, bool exponent_form)
{
    int n = 0, integer_digits = 0;
    bool in_fraction = false;
    const char *p = printed;
    for (; *p && *p != 'e'; p++) {
        if (*p < '0' || *p > '9') in_fraction = true;
        else {
            if (!in_fraction) integer_digits++;
            d->text[n++] = *p;
        }
    }
    d->point = integer_digits + (exponent_form && *p == 'e' ? atoi(p + 1) : 0);
    int zeros = 0;
    while (zeros < n - 1 && d->text[zeros] == '0') zeros++;
    memmove(d->text, d->text + zeros, (size_t)(n - zeros));
    d->point -= zeros;
    n -= zeros;
    while (n > 1 && d->text[n - 1] == '0') n--;
    d->length = n;
    if (n == 1 && d->text[0] == '0') d->point = 1;
}

/* value >= 0; 0 or -1 with MemoryError. */
static int digits_printed(Digits *d, double value, int precision, char form)
{
    char stack[400], *printed = stack;
    size_t size = (size_t)precision + (form == 'f' ? 330 : 20);
    d->text = d->local;
    if (size > sizeof stack && !(printed = PyMem_Malloc(size))) goto no_memory;
    if (size > sizeof d->local && !(d->text = PyMem_Malloc(size))) {
        if (printed != stack) PyMem_Free(printed);
        goto no_memory;
    }
    snprintf(printed, size, form == 'f' ? "%.*f" : "%.*e", precision, value);
    digits_collect(d, printed, form == 'e');
    if (printed != stack) PyMem_Free(printed);
    return 0;
no_memory:
    PyErr_NoMemory();
    return -1;
}

static int digits_significant(Digits *d, double value, int count) { return digits_printed(d, value, count - 1, 'e'); }

static int digits_fixed(Digits *d, double value, int places)
{
    uint64_t scaled;
    if (!float_scaled(value, places, &scaled)) return digits_printed(d, value, places, 'f');
    d->text = d->local;
    d->length = write_digits(scaled, d->text);
    d->point = d->length - places;
    while (d->length > 1 && d->text[d->length - 1] == '0') d->length--;
    if (scaled == 0) d->point = 1;
    return 0;
}

static void digits_repr(Digits *d, double value)
{
    d->text = d->local;
    if (value == 0.0) {
        d->text[0] = '0';
        d->length = d->point = 1;
    }
    else d->length = float_shortest(value, d->text, &d->point);
}

/* ---- layout ------------------------------------------------------------------------------------------------------------------------------------------ */

static char *put(char *p, const char *text, size_t n)
{
    memcpy(p, text, n);
    return p + n;
}

static char *put_zeros(char *p, int n)
{
    if (n <= 0) return p;
    memset(p, '0', (size_t)n);
    return p + n;
}

/* Digits with sign, point, zeros and exponent. The virtual digits from start to end are those that show; end > point. */
static char *lay_out(char *p, const Digits *d, bool negative, char code, int precision, int flags, bool upper)
{
    int point = d->point, end, exponent = 0;
    bool use_exponent = false, alternate = flags & Py_DTSF_ALT;
    switch (code) {
    case 'e':
        use_exponent = true;
        end = precision;
        break;
    case 'f':
        end = point + precision;
        break;
    case 'g':
        use_exponent = point <= -4 || point > precision - (flags & Py_DTSF_ADD_DOT_0 ? 1 : 0);
        end = alternate ? precision : d->length;
        break;
    default:                                  /* 'r' */
        use_exponent = point <= -4 || point > 16;
        end = d->length;
    }
    if (use_exponent) {
        exponent = point - 1;
        point = 1;
    }
    if (!use_exponent && (flags & Py_DTSF_ADD_DOT_0)) end = end > point ? end : point + 1;
    else if (end < point) end = point;

    if (negative) *p++ = '-';
    else if (flags & Py_DTSF_SIGN) *p++ = '+';
    if (point <= 0) {                         /* 0.000ddd */
        *p++ = '0';
        *p++ = '.';
        p = put_zeros(p, -point);
    }
    if (0 < point && point <= d->length) {
        p = put(p, d->text, (size_t)point);
        *p++ = '.';
        p = put(p, d->text + point, (size_t)(d->length - point));
    }
    else p = put(p, d->text, (size_t)d->length);
    if (d->length < point) {
        p = put_zeros(p, point - d->length);
        *p++ = '.';
        p = put_zeros(p, end - point);
    }
    else p = put_zeros(p, end - d->length);
    if (p[-1] == '.' && !alternate) p--;
    if (use_exponent) {
        *p++ = upper ? 'E' : 'e';
        *p++ = exponent < 0 ? '-' : '+';
        if (exponent < 0) exponent = -exponent;
        if (exponent < 10) *p++ = '0';
        p += write_digits((uint64_t)exponent, p);
    }
    *p = 0;
    return p;
}

int float_repr_text(double value, char text[FLOAT_REPR_SIZE])
{
    if (!isfinite(value)) return (int)(stpcpy(text, isnan(value) ? "nan" : value < 0 ? "-inf" : "inf") - text);
    Digits d;
    digits_repr(&d, fabs(value));
    return (int)(lay_out(text, &d, signbit(value), 'r', 17, Py_DTSF_ADD_DOT_0, false) - text);
}

static char *non_finite(double value, int flags, bool upper, int *type)
{
    char *text = PyMem_Malloc(8), *p = text;
    if (!text) {
        PyErr_NoMemory();
        return NULL;
    }
    if (type) *type = isnan(value) ? Py_DTST_NAN : Py_DTST_INFINITE;
    if (!isnan(value) && value < 0) *p++ = '-';
    else if (flags & Py_DTSF_SIGN) *p++ = '+';
    strcpy(p, isnan(value) ? (upper ? "NAN" : "nan") : upper ? "INF" : "inf");
    return text;
}

char *PyOS_double_to_string(double value, char code, int precision, int flags, int *type)
{
    bool upper = code == 'E' || code == 'F' || code == 'G';
    if (upper) code |= 0x20;
    if ((code != 'e' && code != 'f' && code != 'g' && code != 'r') || (code == 'r' && precision != 0) || precision < 0) {
        PyErr_BadInternalCall();
        return NULL;
    }
    if (code == 'g' && precision == 0) precision = 1;
    if (code == 'r') precision = 17;
    if (!isfinite(value)) return non_finite(value, flags, upper, type);
    if (type) *type = Py_DTST_FINITE;
    if (precision > INT_MAX - 400) {
        PyErr_NoMemory();
        return NULL;
    }
    Digits d;
    double magnitude = fabs(value);
    int status = 0;
    switch (code) {
    case 'e': status = digits_significant(&d, magnitude, ++precision); break;
    case 'f': status = digits_fixed(&d, magnitude, precision); break;
    case 'g': status = digits_significant(&d, magnitude, precision); break;
    default: digits_repr(&d, magnitude);
    }
    if (status < 0) return NULL;
    bool negative = signbit(value) && !((flags & Py_DTSF_NO_NEG_0) && d.length == 1 && d.text[0] == '0');
    size_t room = (size_t)precision + (size_t)d.length + (d.point > 0 ? (size_t)d.point : (size_t)-d.point) + 16;
    char *text = PyMem_Malloc(room);
    if (text) lay_out(text, &d, negative, code, precision, flags, upper);
    else PyErr_NoMemory();
    digits_free(&d);
    return text;
}

/* ---- parsing --------------------------------------------------------------------------------------------------------------------------------------------- */

static bool matches(const char *p, const char *end, const char *word)
{
    for (; *word; p++, word++) {
        if (p == end || (*p | 0x20) != *word) return false;
    }
    return true;
}

static inline bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* strtod of digits * 10 ** exponent; digits has [start, end) without the point. */
static int read_slowly(const char *start, const char *end, int64_t exponent, double *value)
{
    char stack[128], *text = stack;
    size_t n = (size_t)(end - start);
    if (n + 32 > sizeof stack && !(text = PyMem_Malloc(n + 32))) return -1;
    char *p = text;
    for (const char *s = start; s < end; s++) {
        if (is_digit(*s)) *p++ = *s;
    }
    sprintf(p, "e%lld", (long long)exponent);
    *value = strtod(text, NULL);
    if (text != stack) PyMem_Free(text);
    return 0;
}

const char *float_read(const char *text, const char *end, double *value, bool *overflow)
{
    static const double exact_powers[] = { 1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                           1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };
    const char *p = text;
    bool negative = false;
    *overflow = false;
    if (p < end && (*p == '+' || *p == '-')) negative = *p++ == '-';
    const char *start = p;
    uint64_t mantissa = 0;
    int taken = 0;                            /* digits in mantissa, without leading zeros; 19 fit */
    int64_t exponent = 0;
    bool any = false, exact = true;
    for (bool fraction = false; p < end; p++) {
        if (*p == '.' && !fraction) {
            fraction = true;
            continue;
        }
        if (!is_digit(*p)) break;
        any = true;
        exponent -= fraction;
        if (taken < 19) {
            mantissa = mantissa * 10 + (unsigned)(*p - '0');
            taken += mantissa != 0;
        }
        else {
            exact &= *p == '0';
            exponent++;                       /* not in mantissa */
        }
    }
    if (!any) {
        bool nan = matches(start, end, "nan");
        if (!nan && !matches(start, end, "inf")) return text;
        p = start + 3;
        if (!nan && matches(start, end, "infinity")) p = start + 8;
        *value = nan ? copysign(NAN, negative ? -1.0 : 1.0) : negative ? -INFINITY : INFINITY;
        return p;
    }
    const char *last_digit = p;
    int64_t written = 0;
    if (p < end && (*p | 0x20) == 'e') {
        const char *q = p + 1;
        bool minus = false;
        if (q < end && (*q == '+' || *q == '-')) minus = *q++ == '-';
        if (q < end && is_digit(*q)) {
            for (; q < end && is_digit(*q); q++) {
                if (written < 100000000000000000) written = written * 10 + (*q - '0');
            }
            p = q;
            if (minus) written = -written;
        }
    }
    int64_t power = exponent + written;
    if (mantissa == 0) *value = 0.0;
    else if (exact && mantissa <= (uint64_t)1 << 53 && power >= -22 && power <= 22)
        *value = power < 0 ? (double)mantissa / exact_powers[-power] : (double)mantissa * exact_powers[power];
    else {
        /* digits that were left out of mantissa count in the text: its exponent is that of the last digit */
        int64_t fraction_digits = 0;
        const char *dot = memchr(start, '.', (size_t)(last_digit - start));
        if (dot) fraction_digits = last_digit - dot - 1;
        if (read_slowly(start, last_digit, written - fraction_digits, value) < 0) return NULL;
        *overflow = isinf(*value);
    }
    if (negative) *value = -*value;
    return p;
}

double PyOS_string_to_double(const char *text, char **end, PyObject *overflow_exception)
{
    double value = -1.0;
    bool overflow;
    const char *stop = float_read(text, text + strlen(text), &value, &overflow);
    if (!stop) {
        PyErr_NoMemory();
        if (end) *end = (char *)(uintptr_t)text;
        return -1.0;
    }
    if (stop == text || (!end && *stop)) {
        PyErr_Format(PyExc_ValueError, "could not convert string to float: '%.200s'", text);
        value = -1.0;
    }
    else if (overflow && overflow_exception) {
        PyErr_Format(overflow_exception, "value too large to convert to float: '%.200s'", text);
        value = -1.0;
    }
    if (end) *end = (char *)(uintptr_t)stop;
    return value;
}
