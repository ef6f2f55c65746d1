/* int to and from text, in bases 2 to 36.
 *
 * Bases that are powers of two are a matter of bits. Others go through mpn_get_str and mpn_set_str, whose methods are
 * subquadratic; the limit on the number of digits (sys.set_int_max_str_digits) is checked all the same, as in CPython. */
#include "objects/int_private.h"

#include <string.h>

enum { LIMIT_THRESHOLD = 640 };              /* texts shorter than this are never refused */

static const char digit_letters[36] = "0123456789abcdefghijklmnopqrstuvwxyz";

static int text_limit(void) { return thread_interp(thread_get())->objects.numbers.max_str_digits; }

/* ---- int to text --------------------------------------------------------------------------------------------------------------- */

static COLD PyObject *text_too_long(int limit)
{
    PyErr_Format(PyExc_ValueError, "Exceeds the limit (%d digits) for integer string conversion; "
                 "use sys.set_int_max_str_digits() to increase the limit", limit);
    return NULL;
}

static PyObject *text_new(Py_ssize_t length, char **text)
{
    PyObject *s = PyUnicode_New(length, 127);
    if (s) *text = (char *)PyUnicode_1BYTE_DATA(s);
    return s;
}

/* The sign and prefix of a text that is filled from its end. */
static void put_head(char *text, bool negative, int base, bool prefix)
{
    if (negative) *text++ = '-';
    if (prefix) {
        *text++ = '0';
        *text = base == 16 ? 'x' : base == 8 ? 'o' : 'b';
    }
}

static PyObject *text_of_u64(uint64_t value, bool negative, int base, bool prefix)
{
    char buffer[64], *p = buffer + sizeof buffer, *text;
    if (base == 10) {
        static const char pairs[] = "00010203040506070809101112131415161718192021222324252627282930313233343536373839404142434445464748"
                                    "49505152535455565758596061626364656667686970717273747576777879808182838485868788899091929394959697"
                                    "9899";
        while (value >= 100) {
            p -= 2;
            memcpy(p, pairs + value % 100 * 2, 2);
            value /= 100;
        }
        if (value >= 10) {
            p -= 2;
            memcpy(p, pairs + value * 2, 2);
        }
        else *--p = (char)('0' + value);
    }
    else {
        do {
            *--p = digit_letters[value % (unsigned)base];
            value /= (unsigned)base;
        } while (value);
    }
    Py_ssize_t length = buffer + sizeof buffer - p, head = negative + 2 * prefix;
    PyObject *s = text_new(head + length, &text);
    if (!s) return NULL;
    put_head(text, negative, base, prefix);
    memcpy(text + head, p, (size_t)length);
    return s;
}

static PyObject *text_in_bits(PyLongObject *v, unsigned bits_each, int base, bool prefix)
{
    size_t bits = _PyLong_NumBits(OBJECT(v)), length = (bits + bits_each - 1) / bits_each, head = long_is_negative(v) + 2u * prefix;
    if (length > (size_t)PY_SSIZE_T_MAX - 3) {
        PyErr_SetString(PyExc_OverflowError, "int too large to format");
        return NULL;
    }
    char *text;
    PyObject *s = text_new((Py_ssize_t)(head + length), &text);
    if (!s) return NULL;
    put_head(text, long_is_negative(v), base, prefix);
    char *p = text + head + length;
    uint64_t window = 0;
    unsigned have = 0;
    for (size_t i = 0, n = long_ndigits(v); p > text + head;) {
        if (have < bits_each && i < n) {
            window |= (uint64_t)LONG_DIGITS(v)[i++] << have;
            have += PyLong_SHIFT;
        }
        *--p = digit_letters[window & (((uint64_t)1 << bits_each) - 1)];
        window >>= bits_each;
        have = have > bits_each ? have - bits_each : 0;
    }
    return s;
}

static NOINLINE PyObject *text_through_gmp(PyLongObject *v, int base)
{
    int limit = text_limit();
    size_t n = long_ndigits(v);
    bool negative = long_is_negative(v);
    /* 30 bits are 9.03 decimal digits: refuse what is certainly too long before working on it */
    if (base == 10 && limit > 0 && n > LIMIT_THRESHOLD / 9 && (n - 1) > (size_t)limit / 9) return text_too_long(limit);
    size_t limbs = limbs_for_digits(n), room = base >= 10 ? n * 10 : n * 30;   /* 10 ** 10 > 2 ** 30 */
    mp_limb_t *memory = PyMem_Malloc((limbs + 1) * sizeof(mp_limb_t));
    unsigned char *digits = PyMem_Malloc(room + 2);
    if (!memory || !digits) {
        PyMem_Free(memory);
        PyMem_Free(digits);
        return PyErr_NoMemory();
    }
    limbs = limbs_pack(memory, LONG_DIGITS(v), n);
    volatile size_t length = 0;
    GmpGuard guard;
    bool guarded = limbs > GMP_UNGUARDED_LIMBS;
    if (guarded && GMP_GUARD_BEGIN(&guard)) PyErr_NoMemory();
    else length = mpn_get_str(digits, base, memory, (mp_size_t)limbs);
    if (guarded) gmp_guard_end(&guard);
    PyMem_Free(memory);
    PyObject *s = NULL;
    size_t skip = 0;
    while (skip < length && !digits[skip]) skip++;
    if (!length) goto done;
    if (base == 10 && limit > 0 && length - skip > LIMIT_THRESHOLD && length - skip > (size_t)limit) {
        text_too_long(limit);
        goto done;
    }
    char *text;
    if (!(s = text_new((Py_ssize_t)(length - skip + negative), &text))) goto done;
    if (negative) *text++ = '-';
    for (size_t i = skip; i < length; i++) *text++ = digit_letters[digits[i]];
done:
    PyMem_Free(digits);
    return s;
}

PyObject *long_to_text(PyObject *o, int base, bool prefix)
{
    PyLongObject *v = LONG(o);
    assert(base >= 2 && base <= 36 && (!prefix || base == 2 || base == 8 || base == 10 || base == 16));
    if (base == 10) prefix = false;
    if (LIKELY(long_is_short(v))) {
        int64_t value = long_short_value(v);
        return text_of_u64(value < 0 ? 0 - (uint64_t)value : (uint64_t)value, value < 0, base, prefix);
    }
    if (!(base & (base - 1))) return text_in_bits(v, (unsigned)__builtin_ctz((unsigned)base), base, prefix);
    return text_through_gmp(v, base);
}

/* ---- text to int ----------------------------------------------------------------------------------------------------------------- */

/* Value of each character as a digit, 37 for those that are none. */
static inline unsigned digit_value(unsigned char c)
{
    if (c <= '9') return c >= '0' ? c - '0' : 37;
    c |= 0x20;
    return c >= 'a' && c <= 'z' ? c - 'a' + 10 : 37;
}

static inline bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

/* Digits with single underscores between them. Returns where they end, or NULL when underscores are misplaced (*wrong is then
 * the place). */
static const char *scan_digits(const char *p, const char *end, unsigned base, size_t *count, const char **wrong)
{
    size_t n = 0;
    char before = 0;
    *count = 0;
    if (base == 10) {                         /* eight decimal digits at a time */
        for (uint64_t eight; end - p >= 8; p += 8, n += 8, before = '0') {
            memcpy(&eight, p, 8);
            if (((eight & 0xf0f0f0f0f0f0f0f0u) | ((eight + 0x0606060606060606u) & 0xf0f0f0f0f0f0f0f0u) >> 4) != 0x3333333333333333u) break;
        }
    }
    for (; p < end; p++) {
        if (*p == '_') {
            if (before == '_') goto misplaced;
        }
        else if (digit_value((unsigned char)*p) >= base) break;
        else n++;
        before = *p;
    }
    if (before == '_') goto misplaced;
    *count = n;
    return p;
misplaced:
    *wrong = before == '_' && p < end && *p == '_' ? p : p - 1;
    return NULL;
}

static PyObject *value_in_bits(const char *start, const char *end, size_t count, unsigned bits_each, bool negative)
{
    if (count > (SIZE_MAX / 2) / bits_each) {
        PyErr_SetString(PyExc_ValueError, "int string too large to convert");
        return NULL;
    }
    size_t size = (count * bits_each + PyLong_SHIFT - 1) / PyLong_SHIFT, at = 0;
    PyLongObject *v = long_new_digits(size);
    if (!v) return NULL;
    uint64_t window = 0;
    unsigned have = 0;
    while (end-- > start) {
        if (*end == '_') continue;
        window |= (uint64_t)digit_value((unsigned char)*end) << have;
        have += bits_each;
        if (have >= PyLong_SHIFT) {
            LONG_DIGITS(v)[at++] = (digit)window & PyLong_MASK;
            window >>= PyLong_SHIFT;
            have -= PyLong_SHIFT;
        }
    }
    if (at < size) LONG_DIGITS(v)[at++] = (digit)window;
    assert(at == size);
    return long_finish(v, size, negative);
}

static COLD PyObject *literal_too_long(int limit, size_t count)
{
    PyErr_Format(PyExc_ValueError, "Exceeds the limit (%d digits) for integer string conversion: value has %zd digits; "
                 "use sys.set_int_max_str_digits() to increase the limit", limit, (Py_ssize_t)count);
    return NULL;
}

static NOINLINE PyObject *value_through_gmp(const char *start, const char *end, size_t count, int base, bool negative)
{
    int limit = text_limit();
    if (count > LIMIT_THRESHOLD && limit > 0 && count > (size_t)limit) return literal_too_long(limit, count);
    size_t limbs = count / 64 * 6 * 64 / 64 + count % 64 * 6 / 64 + 3;     /* base 36: less than 6 bits a digit */
    unsigned char *digits = PyMem_Malloc(count + 1);
    mp_limb_t *memory = PyMem_Malloc(limbs * sizeof(mp_limb_t));
    PyLongObject *v = NULL;
    size_t n = 0, size = 0;
    if (!digits || !memory) {
        PyErr_NoMemory();
        goto done;
    }
    for (const char *p = start; p < end; p++) {
        if (*p != '_') digits[n++] = (unsigned char)digit_value((unsigned char)*p);
    }
    volatile mp_size_t used = -1;
    GmpGuard guard;
    bool guarded = limbs > GMP_UNGUARDED_LIMBS;
    if (guarded && GMP_GUARD_BEGIN(&guard)) PyErr_NoMemory();
    else used = mpn_set_str(memory, digits, n, base);
    if (guarded) gmp_guard_end(&guard);
    if (used < 0) goto done;
    size = digits_for_limbs((size_t)used);
    if ((v = long_new_digits(size))) limbs_unpack(LONG_DIGITS(v), size, memory, (size_t)used);
done:
    PyMem_Free(digits);
    PyMem_Free(memory);
    return v ? long_finish(v, size, negative) : NULL;
}

static PyObject *value_of_digits(const char *start, const char *end, size_t count, int base, bool negative)
{
    if (count <= 12 || (count <= 18 && base <= 10)) {      /* below 2^63 */
        uint64_t value = 0;
        for (const char *p = start; p < end; p++) {
            if (*p != '_') value = value * (unsigned)base + digit_value((unsigned char)*p);
        }
        return long_from_i64(thread_get(), negative ? -(int64_t)value : (int64_t)value);
    }
    if (!(base & (base - 1))) return value_in_bits(start, end, count, (unsigned)__builtin_ctz((unsigned)base), negative);
    while (start < end && *start == '0' && count > LIMIT_THRESHOLD && !text_limit()) start++, count--;
    return value_through_gmp(start, end, count, base, negative);
}

/* Reads [p, end), whitespace around included. NULL without exception when it is no integer; *stop is where reading ended,
 * *base what a base of 0 turned out to be. */
static PyObject *read_int(const char *p, const char *end, int *base, const char **stop)
{
    bool negative = false, only_zero = false;
    while (p < end && is_space(*p)) p++;
    if (p < end && (*p == '+' || *p == '-')) negative = *p++ == '-';
    char second = end - p >= 2 && *p == '0' ? p[1] | 0x20 : 0;
    int prefix = second == 'x' ? 16 : second == 'o' ? 8 : second == 'b' ? 2 : 0;
    if (*base == 0) {
        *base = prefix ? prefix : 10;
        only_zero = !prefix && p < end && *p == '0';        /* 0777 is no literal any more, 000 is */
    }
    if (prefix && prefix == *base) {
        p += 2;
        if (p < end && *p == '_') p++;
    }
    *stop = p;
    if (p == end || *p == '_') return NULL;
    size_t count;
    const char *last = scan_digits(p, end, (unsigned)*base, &count, stop);
    if (!last) return NULL;
    *stop = last;
    if (!count) return NULL;
    PyObject *value = value_of_digits(p, last, count, *base, negative);
    if (!value) return NULL;
    while (last < end && is_space(*last)) last++;
    *stop = last;
    if (last < end || (only_zero && !long_is_zero(LONG(value)))) {
        if (last == end) *stop = p;
        Py_DECREF(value);
        return NULL;
    }
    return value;
}

static COLD PyObject *not_an_int(int base, PyObject *shown)
{
    if (shown) {
        PyErr_Format(PyExc_ValueError, "invalid literal for int() with base %d: %.200R", base, shown);
        Py_DECREF(shown);
    }
    return NULL;
}

PyObject *PyLong_FromString(const char *text, char **end, int base)
{
    const char *stop = text;
    if ((base != 0 && base < 2) || base > 36) {
        PyErr_SetString(PyExc_ValueError, "int() arg 2 must be >= 2 and <= 36");
        return NULL;
    }
    size_t length = strlen(text);
    PyObject *v = read_int(text, text + length, &base, &stop);
    if (end) *end = (char *)(uintptr_t)stop;
    if (!v && !PyErr_Occurred()) return not_an_int(base, PyUnicode_FromStringAndSize(text, (Py_ssize_t)(length < 200 ? length : 200)));
    return v;
}

PyObject *long_from_bytes(const char *text, Py_ssize_t length, int base)
{
    const char *stop;
    int actual = base;
    PyObject *v = read_int(text, text + length, &actual, &stop);
    if (!v && !PyErr_Occurred()) return not_an_int(base, PyBytes_FromStringAndSize(text, length < 200 ? length : 200));
    return v;
}

PyObject *PyLong_FromUnicodeObject(PyObject *s, int base)
{
    if ((base != 0 && base < 2) || base > 36) {
        PyErr_SetString(PyExc_ValueError, "int() arg 2 must be >= 2 and <= 36");
        return NULL;
    }
    PyObject *ascii = PyUnicode_IS_ASCII(s) ? Py_NewRef(s) : str_digits_to_ascii(s);
    if (!ascii) return NULL;
    int actual = base;
    const char *text = (const char *)PyUnicode_1BYTE_DATA(ascii), *stop;
    PyObject *v = read_int(text, text + PyUnicode_GET_LENGTH(ascii), &actual, &stop);
    Py_DECREF(ascii);
    if (!v && !PyErr_Occurred()) return not_an_int(base, Py_NewRef(s));
    return v;
}
