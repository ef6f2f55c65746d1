/* Operations on int objects: + - * // % << >> & | ^, comparison, gcd, square root. int_power.c has pow and true division.
 *
 * Every function answers operands of at most two digits with machine arithmetic before anything else: that is nearly all
 * there is in real programs. Operands are ints or instances of subclasses; results are exact ints. */
#include "objects/int_private.h"

#include <string.h>

/* ---- making ints --------------------------------------------------------------------------------------------------------- */

PyLongObject *long_new_digits(size_t n)
{
    if (UNLIKELY(n > LONG_MAX_DIGITS)) {
        PyErr_SetString(PyExc_OverflowError, "too many digits in integer");
        return NULL;
    }
    PyLongObject *v;
    if (LIKELY(n <= 8000)) {                  /* in a page, too: an extension may shorten what _PyLong_New gave it */
        if (!(v = long_alloc_small(thread_get(), n ? n : 1))) return NULL;
    }
    else {
        v = PyObject_Malloc(offsetof(PyLongObject, long_value.ob_digit) + n * sizeof(digit));
        if (!v) return (PyLongObject *)PyErr_NoMemory();
        PyObject_Init(OBJECT(v), &PyLong_Type);
    }
    long_set_tag(v, n, false);
    v->long_value.ob_digit[0] = 0;
    return v;
}

PyObject *long_finish(PyLongObject *v, size_t n, bool negative)
{
    size_t before = n;
    n = digits_trim(v->long_value.ob_digit, n);
    if (n <= LONG_PAGE_DIGITS && before > LONG_PAGE_DIGITS) {       /* what frees it must find it in a page */
        PyLongObject *copy = long_new_digits(n);
        if (copy) memcpy(copy->long_value.ob_digit, v->long_value.ob_digit, n * sizeof(digit));
        long_set_tag(v, before, false);
        Py_SETREF(v, copy);
        if (!v) return NULL;
    }
    if (n <= 1) {
        int64_t value = n ? v->long_value.ob_digit[0] : 0;
        if (negative) value = -value;
        if (value >= SMALL_INT_MIN && value <= SMALL_INT_MAX) {
            heap_free(v);
            return SMALL_INT(value);
        }
    }
    long_set_tag(v, n, negative);
    return OBJECT(v);
}

NOINLINE PyObject *long_from_magnitude(Thread *t, uint64_t magnitude, bool negative)
{
    if (LIKELY(magnitude > PyLong_MASK && !(magnitude >> (2 * PyLong_SHIFT)))) {
        PyLongObject *v = long_alloc_small(t, 2);
        if (UNLIKELY(!v)) return NULL;
        v->long_value.lv_tag = 2 << _PyLong_NON_SIZE_BITS | (negative ? LONG_NEGATIVE : LONG_POSITIVE);
        v->long_value.ob_digit[0] = (digit)magnitude & PyLong_MASK;
        v->long_value.ob_digit[1] = (digit)(magnitude >> PyLong_SHIFT);
        return OBJECT(v);
    }
    if (magnitude <= PyLong_MASK) return long_from_i64(t, negative ? -(int64_t)magnitude : (int64_t)magnitude);
    size_t n = magnitude >> (2 * PyLong_SHIFT) ? 3 : 2;
    PyLongObject *v = long_alloc_small(t, n);
    if (!v) return NULL;
    digit *d = v->long_value.ob_digit;
    d[0] = (digit)magnitude & PyLong_MASK;
    d[1] = (digit)(magnitude >> PyLong_SHIFT) & PyLong_MASK;
    if (n == 3) d[2] = (digit)(magnitude >> (2 * PyLong_SHIFT));
    long_set_tag(v, n, negative);
    return OBJECT(v);
}

PyObject *long_from_u128(Thread *t, unsigned __int128 magnitude, bool negative)
{
    if (!(magnitude >> 64)) return long_from_magnitude(t, (uint64_t)magnitude, negative);
    digit digits[5];
    size_t n = 0;
    for (; magnitude; magnitude >>= PyLong_SHIFT) digits[n++] = (digit)magnitude & PyLong_MASK;
    PyLongObject *v = long_alloc_small(t, n);
    if (!v) return NULL;
    memcpy(v->long_value.ob_digit, digits, n * sizeof(digit));
    long_set_tag(v, n, negative);
    return OBJECT(v);
}

static PyObject *long_copy(const PyLongObject *v, bool negative)
{
    size_t n = long_ndigits(v);
    if (n <= 1) return long_from_i64(thread_get(), n == 0 ? 0 : negative ? -(int64_t)LONG_DIGITS(v)[0] : LONG_DIGITS(v)[0]);
    PyLongObject *copy = long_new_digits(n);
    if (!copy) return NULL;
    memcpy(LONG_DIGITS(copy), LONG_DIGITS(v), n * sizeof(digit));
    long_set_tag(copy, n, negative);
    return OBJECT(copy);
}

PyObject *long_exact(PyObject *v)
{
    if (PyLong_CheckExact(v)) return Py_NewRef(v);
    return long_copy(LONG(v), long_is_negative(LONG(v)));
}

PyObject *long_neg(PyObject *v) { return long_copy(LONG(v), !long_is_negative(LONG(v))); }

PyObject *long_abs(PyObject *v) { return long_is_negative(LONG(v)) ? long_copy(LONG(v), false) : long_exact(v); }

/* ---- comparison ------------------------------------------------------------------------------------------------------------ */

int long_compare(const PyLongObject *a, const PyLongObject *b)
{
    if (LIKELY(long_both_compact(a, b))) {
        int64_t x = long_compact_value(a), y = long_compact_value(b);
        return (x > y) - (x < y);
    }
    int sign = long_sign(a);
    if (sign != long_sign(b)) return sign < long_sign(b) ? -1 : 1;
    return sign * digits_compare(LONG_DIGITS(a), long_ndigits(a), LONG_DIGITS(b), long_ndigits(b));
}

/* ---- + - * ------------------------------------------------------------------------------------------------------------------ */

/* |a| + |b| with a sign */
static PyObject *add_magnitudes(const PyLongObject *a, const PyLongObject *b, bool negative)
{
    if (long_ndigits(a) < long_ndigits(b)) {
        const PyLongObject *swap = a;
        a = b;
        b = swap;
    }
    size_t n = long_ndigits(a);
    PyLongObject *r = long_new_digits(n + 1);
    if (!r) return NULL;
    digit carry = digits_add(LONG_DIGITS(r), LONG_DIGITS(a), n, LONG_DIGITS(b), long_ndigits(b));
    LONG_DIGITS(r)[n] = carry;
    return long_finish(r, n + 1, negative);
}

/* |a| - |b|, negated when negative */
static PyObject *sub_magnitudes(const PyLongObject *a, const PyLongObject *b, bool negative)
{
    size_t an = long_ndigits(a), bn = long_ndigits(b);
    if (an == bn) {                           /* cancellation may leave much less: allocate what remains */
        while (an && LONG_DIGITS(a)[an - 1] == LONG_DIGITS(b)[an - 1]) an--;
        if (!an) return SMALL_INT(0);
        bn = an;
    }
    if (an < bn || (an == bn && LONG_DIGITS(a)[an - 1] < LONG_DIGITS(b)[an - 1])) {
        const PyLongObject *swap = a;
        a = b;
        b = swap;
        size_t n = an;
        an = bn;
        bn = n;
        negative = !negative;
    }
    PyLongObject *r = long_new_digits(an);
    if (!r) return NULL;
    digits_sub(LONG_DIGITS(r), LONG_DIGITS(a), an, LONG_DIGITS(b), bn);
    return long_finish(r, an, negative);
}

static NOINLINE PyObject *add_long(const PyLongObject *a, const PyLongObject *b)
{
    bool negative = long_is_negative(a);
    return negative == long_is_negative(b) ? add_magnitudes(a, b, negative) : sub_magnitudes(a, b, negative);
}

static NOINLINE PyObject *sub_long(const PyLongObject *a, const PyLongObject *b)
{
    bool negative = long_is_negative(a);
    return negative == long_is_negative(b) ? sub_magnitudes(a, b, negative) : add_magnitudes(a, b, negative);
}

PyObject *long_add(PyObject *a, PyObject *b)
{
    if (LIKELY(long_is_short(LONG(a)) && long_is_short(LONG(b))))
        return long_from_i64(thread_get(), long_short_value(LONG(a)) + long_short_value(LONG(b)));
    return add_long(LONG(a), LONG(b));
}

PyObject *long_sub(PyObject *a, PyObject *b)
{
    if (LIKELY(long_is_short(LONG(a)) && long_is_short(LONG(b))))
        return long_from_i64(thread_get(), long_short_value(LONG(a)) - long_short_value(LONG(b)));
    return sub_long(LONG(a), LONG(b));
}

static NOINLINE PyObject *mul_long(PyLongObject *a, PyLongObject *b)
{
    size_t an = long_ndigits(a), bn = long_ndigits(b);
    if (!an || !bn) return SMALL_INT(0);
    PyLongObject *r = long_new_digits(an + bn);
    if (!r) return NULL;
    if (digits_mul(LONG_DIGITS(r), LONG_DIGITS(a), an, LONG_DIGITS(b), bn) < 0) {
        Py_DECREF(r);
        return NULL;
    }
    return long_finish(r, an + bn, long_is_negative(a) != long_is_negative(b));
}

PyObject *long_mul(PyObject *a, PyObject *b)
{
    if (LIKELY(long_both_compact(LONG(a), LONG(b)))) return long_mul_compact(thread_get(), LONG(a), LONG(b));
    if (long_is_short(LONG(a)) && long_is_short(LONG(b))) {
        __int128 product = (__int128)long_short_value(LONG(a)) * long_short_value(LONG(b));
        return long_from_u128(thread_get(), product < 0 ? -(unsigned __int128)product : (unsigned __int128)product, product < 0);
    }
    return mul_long(LONG(a), LONG(b));
}

/* ---- division ---------------------------------------------------------------------------------------------------------------- */

/* Quotient rounded towards zero, remainder with the sign of a; either may be NULL. b is not 0. */
static int truncating_divmod(PyLongObject *a, PyLongObject *b, PyObject **quotient, PyObject **remainder)
{
    size_t an = long_ndigits(a), bn = long_ndigits(b);
    PyLongObject *q = NULL, *r = NULL;
    if (quotient) *quotient = NULL;
    if (remainder) *remainder = NULL;
    if (digits_compare(LONG_DIGITS(a), an, LONG_DIGITS(b), bn) < 0) {
        if (remainder && !(*remainder = long_exact(OBJECT(a)))) return -1;
        if (quotient) *quotient = SMALL_INT(0);
        return 0;
    }
    if (quotient && !(q = long_new_digits(an - bn + 1))) return -1;
    if (remainder && !(r = long_new_digits(bn))) goto error;
    if (digits_divrem(q ? LONG_DIGITS(q) : NULL, r ? LONG_DIGITS(r) : NULL, LONG_DIGITS(a), an, LONG_DIGITS(b), bn) < 0) goto error;
    if (quotient) *quotient = long_finish(q, an - bn + 1, long_is_negative(a) != long_is_negative(b));
    if (remainder) *remainder = long_finish(r, bn, long_is_negative(a));
    return 0;
error:
    Py_XDECREF(q);
    Py_XDECREF(r);
    return -1;
}

/* b is not 0; quotient or remainder may be NULL. 0 or -1. */
static int long_floor_divmod(PyLongObject *a, PyLongObject *b, PyObject **quotient, PyObject **remainder)
{
    assert(!long_is_zero(b));
    PyObject *rest = NULL;
    bool opposite = long_is_negative(a) != long_is_negative(b);
    if (truncating_divmod(a, b, quotient, remainder || opposite ? &rest : NULL) < 0) return -1;
    if (opposite && !long_is_zero(LONG(rest))) {
        PyObject *sum = remainder ? long_add(rest, OBJECT(b)) : NULL;
        Py_DECREF(rest);
        rest = sum;
        if (remainder && !rest) goto error;
        if (quotient) {
            PyObject *less = long_sub(*quotient, SMALL_INT(1));
            Py_SETREF(*quotient, less);
            if (!less) goto error;
        }
    }
    if (remainder) *remainder = rest;
    else Py_XDECREF(rest);
    return 0;
error:
    Py_XDECREF(rest);
    if (quotient) Py_CLEAR(*quotient);
    if (remainder) *remainder = NULL;
    return -1;
}

static COLD PyObject *divided_by_zero(const char *text)
{
    PyErr_SetString(PyExc_ZeroDivisionError, text);
    return NULL;
}

PyObject *long_floor_divide(PyObject *a, PyObject *b)
{
    if (UNLIKELY(long_is_zero(LONG(b)))) return divided_by_zero("integer division or modulo by zero");
    if (LIKELY(long_is_short(LONG(a)) && long_is_short(LONG(b)))) {
        int64_t x = long_short_value(LONG(a)), y = long_short_value(LONG(b));
        if (LIKELY((x | y) >= 0 && (x | y) <= UINT32_MAX)) return long_from_i64(thread_get(), (uint32_t)x / (uint32_t)y);
        int64_t q = x / y;
        return long_from_i64(thread_get(), q - ((x % y != 0) & ((x < 0) != (y < 0))));
    }
    PyObject *quotient;
    return long_floor_divmod(LONG(a), LONG(b), &quotient, NULL) < 0 ? NULL : quotient;
}

PyObject *long_modulo(PyObject *a, PyObject *b)
{
    if (UNLIKELY(long_is_zero(LONG(b)))) return divided_by_zero("integer modulo by zero");
    if (LIKELY(long_is_short(LONG(a)) && long_is_short(LONG(b)))) {
        int64_t x = long_short_value(LONG(a)), y = long_short_value(LONG(b));
        if (LIKELY((x | y) >= 0 && (x | y) <= UINT32_MAX)) return long_from_i64(thread_get(), (uint32_t)x % (uint32_t)y);
        int64_t r = x % y;
        return long_from_i64(thread_get(), r && (r < 0) != (y < 0) ? r + y : r);
    }
    PyObject *remainder;
    return long_floor_divmod(LONG(a), LONG(b), NULL, &remainder) < 0 ? NULL : remainder;
}

PyObject *long_divmod(PyObject *a, PyObject *b)
{
    PyObject *q, *r;
    if (UNLIKELY(long_is_zero(LONG(b)))) return divided_by_zero("integer division or modulo by zero");
    if (long_is_short(LONG(a)) && long_is_short(LONG(b))) {
        q = long_floor_divide(a, b);
        r = q ? long_modulo(a, b) : NULL;
        if (!r) Py_CLEAR(q);
    }
    else if (long_floor_divmod(LONG(a), LONG(b), &q, &r) < 0) return NULL;
    PyObject *pair = q ? PyTuple_New(2) : NULL;
    if (!pair) {
        Py_XDECREF(q);
        Py_XDECREF(r);
        return NULL;
    }
    PyTuple_SET_ITEM(pair, 0, q);
    PyTuple_SET_ITEM(pair, 1, r);
    return pair;
}

PyObject *long_divmod_near(PyObject *a, PyObject *b)
{
    PyObject *q = NULL, *r = NULL, *twice = NULL, *pair = NULL;
    if (!PyLong_Check(a) || !PyLong_Check(b)) {
        PyErr_SetString(PyExc_TypeError, "non-integer arguments in division");
        return NULL;
    }
    if (long_is_zero(LONG(b))) return divided_by_zero("integer division or modulo by zero");
    if (truncating_divmod(LONG(a), LONG(b), &q, &r) < 0) return NULL;
    /* one step away from zero when 2|r| > |b|, or when equal and q is odd */
    if (!(twice = long_lshift_bits(r, 0, 1))) goto done;
    int order = digits_compare(LONG_DIGITS(twice), long_ndigits(LONG(twice)), LONG_DIGITS(b), long_ndigits(LONG(b)));
    bool odd = !long_is_zero(LONG(q)) && (LONG_DIGITS(q)[0] & 1);
    if (order > 0 || (order == 0 && odd)) {
        bool down = long_is_negative(LONG(a)) != long_is_negative(LONG(b));
        PyObject *next = down ? long_sub(q, SMALL_INT(1)) : long_add(q, SMALL_INT(1));
        Py_SETREF(q, next);
        if (!q) goto done;
        next = down ? long_add(r, b) : long_sub(r, b);
        Py_SETREF(r, next);
        if (!r) goto done;
    }
    pair = PyTuple_Pack(2, q, r);
done:
    Py_XDECREF(q);
    Py_XDECREF(r);
    Py_XDECREF(twice);
    return pair;
}

/* ---- shifts --------------------------------------------------------------------------------------------------------------------- */

PyObject *long_lshift_bits(PyObject *o, size_t words, unsigned bits)
{
    PyLongObject *v = LONG(o);
    size_t n = long_ndigits(v);
    if (!n) return SMALL_INT(0);
    if (words > LONG_MAX_DIGITS - n - 1) {
        PyErr_SetString(PyExc_OverflowError, "too many digits in integer");
        return NULL;
    }
    bool grows = digit_bits(LONG_DIGITS(v)[n - 1]) + bits > PyLong_SHIFT;
    size_t size = n + words + grows;
    PyLongObject *r = long_new_digits(size);
    if (!r) return NULL;
    memset(LONG_DIGITS(r), 0, words * sizeof(digit));
    digit carry = digits_shl(LONG_DIGITS(r) + words, LONG_DIGITS(v), n, bits);
    if (grows) LONG_DIGITS(r)[size - 1] = carry;
    return long_finish(r, size, long_is_negative(v));
}

/* Rounds down, so that negative numbers behave as two's complement. */
PyObject *long_rshift_bits(PyObject *o, size_t words, unsigned bits)
{
    PyLongObject *v = LONG(o);
    size_t n = long_ndigits(v);
    bool negative = long_is_negative(v);
    if (words >= n) return SMALL_INT(negative ? -1 : 0);
    bool lost = false;                        /* something that is not zero goes out at the right */
    if (negative) {
        for (size_t i = 0; i < words && !lost; i++) lost = LONG_DIGITS(v)[i] != 0;
    }
    size_t size = n - words;
    PyLongObject *r = long_new_digits(size + negative);
    if (!r) return NULL;
    lost |= digits_shr(LONG_DIGITS(r), LONG_DIGITS(v) + words, size, bits) != 0;
    if (negative) {
        digit one = lost;
        LONG_DIGITS(r)[size] = digits_add(LONG_DIGITS(r), LONG_DIGITS(r), size, &one, 1);
        size++;
    }
    return long_finish(r, size, negative);
}

/* Splits a shift count. 1: it is beyond every size; -1: negative. */
static int shift_count(PyLongObject *count, size_t *words, unsigned *bits)
{
    if (long_is_negative(count)) {
        PyErr_SetString(PyExc_ValueError, "negative shift count");
        return -1;
    }
    size_t n = long_ndigits(count);
    if (n > 3 || (n == 3 && LONG_DIGITS(count)[2] >= 8)) return 1;
    uint64_t value = 0;
    while (n--) value = value << PyLong_SHIFT | LONG_DIGITS(count)[n];
    *words = value / PyLong_SHIFT;
    *bits = (unsigned)(value % PyLong_SHIFT);
    return 0;
}

PyObject *long_lshift(PyObject *a, PyObject *b)
{
    if (LIKELY(long_is_short(LONG(a)) && long_is_compact(LONG(b)))) {
        int64_t x = long_short_value(LONG(a)), count = long_compact_value(LONG(b));
        if (LIKELY(count >= 0 && count <= 2)) return long_from_i64(thread_get(), (int64_t)((uint64_t)x << count));
        if (LIKELY(count >= 0 && count <= 64)) {
            unsigned __int128 magnitude = x < 0 ? 0 - (uint64_t)x : (uint64_t)x;
            return long_from_u128(thread_get(), magnitude << count, x < 0);
        }
    }
    size_t words;
    unsigned bits;
    int status = shift_count(LONG(b), &words, &bits);
    if (status < 0) return NULL;
    if (long_is_zero(LONG(a))) return SMALL_INT(0);
    if (status > 0) {
        PyErr_SetString(PyExc_OverflowError, "too many digits in integer");
        return NULL;
    }
    return long_lshift_bits(a, words, bits);
}

PyObject *long_rshift(PyObject *a, PyObject *b)
{
    if (LIKELY(long_is_short(LONG(a)) && long_is_compact(LONG(b)))) {
        int64_t x = long_short_value(LONG(a)), count = long_compact_value(LONG(b));
        if (LIKELY(count >= 0)) return long_from_i64(thread_get(), x >> (count > 63 ? 63 : count));
    }
    size_t words;
    unsigned bits;
    int status = shift_count(LONG(b), &words, &bits);
    if (status < 0) return NULL;
    if (status > 0) return SMALL_INT(long_is_negative(LONG(a)) ? -1 : 0);
    return long_rshift_bits(a, words, bits);
}

/* ---- & | ^ ---------------------------------------------------------------------------------------------------------------------- */

/* Walks the digits of the infinite two's complement of v. */
typedef struct Complement {
    const digit *at;
    size_t left;
    digit fill, carry;                        /* fill: 0 or PyLong_MASK; carry: of the + 1 that follows the inversion */
} Complement;

static inline Complement complement_of(const PyLongObject *v)
{
    bool negative = long_is_negative(v);
    return (Complement){ LONG_DIGITS(v), long_ndigits(v), negative ? PyLong_MASK : 0, negative };
}

static inline digit complement_next(Complement *c)
{
    digit d = c->fill;
    if (c->left) {
        d ^= *c->at++;
        c->left--;
    }
    else if (c->fill) d = PyLong_MASK;        /* inverted zero */
    d += c->carry;
    c->carry = d >> PyLong_SHIFT;
    return d & PyLong_MASK;
}

static NOINLINE PyObject *bitwise_long(PyLongObject *a, char op, PyLongObject *b)
{
    bool an = long_is_negative(a), bn = long_is_negative(b);
    bool negative = op == '&' ? an & bn : op == '|' ? an | bn : an ^ bn;
    size_t na = long_ndigits(a), nb = long_ndigits(b), size = na > nb ? na : nb;
    if (op == '&' && !an && na < size) size = na;           /* what one does not have, the result has not */
    if (op == '&' && !bn && nb < size) size = nb;
    PyLongObject *r = long_new_digits(size + negative);
    if (!r) return NULL;
    Complement x = complement_of(a), y = complement_of(b);
    digit *out = LONG_DIGITS(r), carry = negative, flip = negative ? PyLong_MASK : 0;
    for (size_t i = 0; i < size; i++) {
        digit p = complement_next(&x), q = complement_next(&y);
        digit d = ((op == '&' ? p & q : op == '|' ? p | q : p ^ q) ^ flip) + carry;
        carry = d >> PyLong_SHIFT;
        out[i] = d & PyLong_MASK;
    }
    if (negative) out[size++] = carry;
    return long_finish(r, size, negative);
}

PyObject *long_and(PyObject *a, PyObject *b)
{
    if (LIKELY(long_is_short(LONG(a)) && long_is_short(LONG(b))))
        return long_from_i64(thread_get(), long_short_value(LONG(a)) & long_short_value(LONG(b)));
    return bitwise_long(LONG(a), '&', LONG(b));
}

PyObject *long_or(PyObject *a, PyObject *b)
{
    if (LIKELY(long_is_short(LONG(a)) && long_is_short(LONG(b))))
        return long_from_i64(thread_get(), long_short_value(LONG(a)) | long_short_value(LONG(b)));
    return bitwise_long(LONG(a), '|', LONG(b));
}

PyObject *long_xor(PyObject *a, PyObject *b)
{
    if (LIKELY(long_is_short(LONG(a)) && long_is_short(LONG(b))))
        return long_from_i64(thread_get(), long_short_value(LONG(a)) ^ long_short_value(LONG(b)));
    return bitwise_long(LONG(a), '^', LONG(b));
}

PyObject *long_invert(PyObject *v)
{
    if (LIKELY(long_is_short(LONG(v)))) return long_from_i64(thread_get(), ~long_short_value(LONG(v)));
    PyObject *sum = long_add(v, SMALL_INT(1));
    if (!sum) return NULL;
    assert(Py_REFCNT(sum) == 1 && !long_is_zero(LONG(sum)));
    LONG(sum)->long_value.lv_tag ^= LONG_NEGATIVE;          /* at least two digits: not shared */
    return sum;
}

/* ---- greatest common divisor, square root --------------------------------------------------------------------------------- */

static uint64_t gcd_u64(uint64_t a, uint64_t b)
{
    if (!a || !b) return a | b;
    int shift = __builtin_ctzll(a | b);
    a >>= __builtin_ctzll(a);
    do {
        b >>= __builtin_ctzll(b);
        if (a > b) {
            uint64_t swap = a;
            a = b;
            b = swap;
        }
        b -= a;
    } while (b);
    return a << shift;
}

static inline uint64_t short_magnitude(const PyLongObject *v)
{
    int64_t value = long_short_value(v);
    return value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
}

static NOINLINE PyObject *gcd_long(PyLongObject *a, PyLongObject *b)
{
    size_t an = limbs_for_digits(long_ndigits(a)), bn = limbs_for_digits(long_ndigits(b)), small = an < bn ? an : bn;
    mp_limb_t *memory = PyMem_Malloc((an + bn) * sizeof(mp_limb_t));
    if (!memory) return PyErr_NoMemory();
    mpz_t x, y;
    mpz_roinit_n(x, memory, (mp_size_t)limbs_pack(memory, LONG_DIGITS(a), long_ndigits(a)));
    mpz_roinit_n(y, memory + an, (mp_size_t)limbs_pack(memory + an, LONG_DIGITS(b), long_ndigits(b)));
    PyLongObject *volatile r = long_new_digits(digits_for_limbs(small));
    if (r) {
        GmpGuard guard;
        if (GMP_GUARD_BEGIN(&guard)) {
            Py_CLEAR(r);
            PyErr_NoMemory();
        }
        else {
            mpz_t g;
            mpz_init(g);
            mpz_gcd(g, x, y);
            limbs_unpack(LONG_DIGITS(r), digits_for_limbs(small), mpz_limbs_read(g), mpz_size(g));
            mpz_clear(g);
        }
        gmp_guard_end(&guard);
    }
    PyMem_Free(memory);
    return r ? long_finish(r, digits_for_limbs(small), false) : NULL;
}

PyAPI_FUNC(PyObject *) _PyLong_GCD(PyObject *a, PyObject *b);
PyObject *_PyLong_GCD(PyObject *a, PyObject *b)
{
    if (LIKELY(long_is_short(LONG(a)) && long_is_short(LONG(b))))
        return long_from_magnitude(thread_get(), gcd_u64(short_magnitude(LONG(a)), short_magnitude(LONG(b))), false);
    if (long_is_zero(LONG(a))) return long_abs(b);
    if (long_is_zero(LONG(b))) return long_abs(a);
    if (long_is_short(LONG(a)) || long_is_short(LONG(b))) { /* one step of Euclid makes both short */
        bool a_short = long_is_short(LONG(a));
        PyObject *rest, *divisor = a_short ? a : b;
        if (truncating_divmod(LONG(a_short ? b : a), LONG(divisor), NULL, &rest) < 0) return NULL;
        uint64_t g = gcd_u64(short_magnitude(LONG(rest)), short_magnitude(LONG(divisor)));
        Py_DECREF(rest);
        return long_from_magnitude(thread_get(), g, false);
    }
    return gcd_long(LONG(a), LONG(b));
}

PyObject *long_isqrt(PyObject *v)
{
    assert(!long_is_negative(LONG(v)));
    if (long_is_zero(LONG(v))) return SMALL_INT(0);
    size_t n = long_ndigits(LONG(v)), limbs = limbs_for_digits(n), half = (limbs + 1) / 2, size = digits_for_limbs(half);
    mp_limb_t *memory = PyMem_Malloc((limbs + half) * sizeof(mp_limb_t));
    if (!memory) return PyErr_NoMemory();
    limbs = limbs_pack(memory + half, LONG_DIGITS(v), n);
    half = (limbs + 1) / 2;
    mp_limb_t *source = memory + (limbs_for_digits(n) + 1) / 2;
    PyLongObject *volatile r = long_new_digits(size);
    if (r) {
        GmpGuard guard;
        if (GMP_GUARD_BEGIN(&guard)) {
            Py_CLEAR(r);
            PyErr_NoMemory();
        }
        else {
            mpn_sqrtrem(memory, NULL, source, (mp_size_t)limbs);
            limbs_unpack(LONG_DIGITS(r), size, memory, half);
        }
        gmp_guard_end(&guard);
    }
    PyMem_Free(memory);
    return r ? long_finish(r, size, false) : NULL;
}
