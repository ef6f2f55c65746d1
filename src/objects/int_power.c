/* int: pow with and without modulus, true division and conversion to double, all correctly rounded. */
#include "objects/int_private.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* ---- to double -------------------------------------------------------------------------------------------------------------- */

/* The top 64 bits of (d, n), the lowest one sticky; *shift is how far they were moved down. n > 0, trimmed. */
static uint64_t top_bits(const digit *d, size_t n, int64_t *shift)
{
    int64_t bits = (int64_t)(n - 1) * PyLong_SHIFT + digit_bits(d[n - 1]);
    unsigned __int128 window = 0;
    size_t taken = n < 4 ? n : 4;
    for (size_t i = 0; i < taken; i++) window = window << PyLong_SHIFT | d[n - 1 - i];
    int64_t below = (int64_t)(n - taken) * PyLong_SHIFT;          /* bits not in the window */
    int64_t drop = bits - below - 64;                             /* bits of the window that are too many */
    *shift = bits - 64;
    if (drop <= 0) return (uint64_t)window << -drop;
    bool sticky = (window & (((unsigned __int128)1 << drop) - 1)) != 0;
    for (size_t i = 0; !sticky && i < n - taken; i++) sticky = d[i] != 0;
    return (uint64_t)(window >> drop) | sticky;
}

/* 64 bits to 53, half to even. The result may be 2^53. */
static uint64_t round_to_53(uint64_t top)
{
    uint64_t half = 1u << 10, rest = top & 2047;
    top >>= 11;
    if (rest > half || (rest == half && (top & 1))) top++;
    return top;
}

double long_frexp(const PyLongObject *v, int64_t *exponent)
{
    size_t n = long_ndigits(v);
    *exponent = 0;
    if (!n) return 0.0;
    int64_t shift;
    uint64_t top = round_to_53(top_bits(LONG_DIGITS(v), n, &shift));
    double fraction = ldexp((double)top, -53);
    *exponent = shift + 64;
    if (fraction == 1.0) {
        fraction = 0.5;
        ++*exponent;
    }
    return long_is_negative(v) ? -fraction : fraction;
}

double PyLong_AsDouble(PyObject *v)
{
    if (!v) {
        PyErr_BadInternalCall();
        return -1.0;
    }
    if (!PyLong_Check(v)) {
        PyErr_SetString(PyExc_TypeError, "an integer is required");
        return -1.0;
    }
    if (LIKELY(long_is_compact(LONG(v)))) return (double)long_compact_value(LONG(v));
    if (long_is_short(LONG(v))) return (double)long_short_value(LONG(v));       /* the processor rounds to even */
    int64_t exponent;
    double fraction = long_frexp(LONG(v), &exponent);
    if (exponent > DBL_MAX_EXP) {
        PyErr_SetString(PyExc_OverflowError, "int too large to convert to float");
        return -1.0;
    }
    return ldexp(fraction, (int)exponent);
}

/* ---- true division ------------------------------------------------------------------------------------------------------------- */

/* (quotient + sticky fraction) * 2**shift, rounded once. quotient has 55 to 63 bits. */
static double scale_rounded(uint64_t quotient, bool sticky, int64_t shift)
{
    int bits = 64 - __builtin_clzll(quotient);
    if (bits + shift > DBL_MAX_EXP) return INFINITY;
    int64_t drop = bits - DBL_MANT_DIG;                                  /* bits below the last one of the result */
    if (DBL_MIN_EXP - DBL_MANT_DIG - shift > drop) drop = DBL_MIN_EXP - DBL_MANT_DIG - shift;
    if (drop > bits + 1) return 0.0;
    uint64_t half = (uint64_t)1 << (drop - 1), mask = (half << 1) - 1, rest = quotient & mask, kept = drop < 64 ? quotient >> drop : 0;
    if (rest > half || (rest == half && (sticky || (kept & 1)))) kept++;
    return ldexp((double)kept, (int)(shift + drop));
}

static NOINLINE PyObject *true_divide_long(PyLongObject *a, PyLongObject *b)
{
    size_t an = long_ndigits(a), bn = long_ndigits(b);
    int64_t abits = (int64_t)(an - 1) * PyLong_SHIFT + digit_bits(LONG_DIGITS(a)[an - 1]);
    int64_t bbits = (int64_t)(bn - 1) * PyLong_SHIFT + digit_bits(LONG_DIGITS(b)[bn - 1]);
    bool negative = long_is_negative(a) != long_is_negative(b), sticky = false;
    int64_t shift = abits - bbits - 56;                                  /* the quotient gets 56 or 57 bits */
    double result;
    if (abits - bbits > DBL_MAX_EXP + 1) result = INFINITY;
    else if (abits - bbits < DBL_MIN_EXP - DBL_MANT_DIG - 2) result = 0.0;
    else {
        size_t words = (size_t)((shift < 0 ? -shift : shift) / PyLong_SHIFT);
        unsigned bits = (unsigned)((shift < 0 ? -shift : shift) % PyLong_SHIFT);
        size_t size = shift < 0 ? an + words + 1 : an - words;
        digit *x = PyMem_Malloc((size + size + 2) * sizeof(digit)), *q = x + size;
        if (!x) return PyErr_NoMemory();
        if (shift < 0) {
            memset(x, 0, words * sizeof(digit));
            x[size - 1] = digits_shl(x + words, LONG_DIGITS(a), an, bits);
        }
        else {
            sticky = digits_shr(x, LONG_DIGITS(a) + words, size, bits) != 0;
            for (size_t i = 0; i < words && !sticky; i++) sticky = LONG_DIGITS(a)[i] != 0;
        }
        size = digits_trim(x, size);
        assert(size >= bn);
        digit *r = PyMem_Malloc(bn * sizeof(digit));
        if (!r) PyErr_NoMemory();
        if (!r || digits_divrem(q, r, x, size, LONG_DIGITS(b), bn) < 0) {
            PyMem_Free(x);
            PyMem_Free(r);
            return NULL;
        }
        uint64_t quotient = 0;
        for (size_t i = digits_trim(q, size - bn + 1); i--;) quotient = quotient << PyLong_SHIFT | q[i];
        sticky |= digits_trim(r, bn) != 0;
        PyMem_Free(x);
        PyMem_Free(r);
        result = scale_rounded(quotient, sticky, shift);
    }
    if (isinf(result)) {
        PyErr_SetString(PyExc_OverflowError, "integer division result too large for a float");
        return NULL;
    }
    return PyFloat_FromDouble(negative ? -result : result);
}

PyObject *long_true_divide(PyObject *a, PyObject *b)
{
    if (UNLIKELY(long_is_zero(LONG(b)))) {
        PyErr_SetString(PyExc_ZeroDivisionError, "division by zero");
        return NULL;
    }
    if (LIKELY(long_is_short(LONG(a)) && long_is_short(LONG(b)))) {
        int64_t x = long_short_value(LONG(a)), y = long_short_value(LONG(b)), limit = (int64_t)1 << DBL_MANT_DIG;
        if (LIKELY(-limit <= x && x <= limit && -limit <= y && y <= limit)) {
            if (!x) return PyFloat_FromDouble(y < 0 ? -0.0 : 0.0);
            return PyFloat_FromDouble((double)x / (double)y);
        }
    }
    if (long_is_zero(LONG(a))) return PyFloat_FromDouble(long_is_negative(LONG(b)) ? -0.0 : 0.0);
    return true_divide_long(LONG(a), LONG(b));
}

/* ---- pow --------------------------------------------------------------------------------------------------------------------------- */

/* base ** exponent in limbs; |base| > 1, exponent > 1. */
static NOINLINE PyObject *power_limbs(PyLongObject *base, uint64_t exponent, bool negative)
{
    size_t n = long_ndigits(base);
    int64_t bits = (int64_t)(n - 1) * PyLong_SHIFT + digit_bits(LONG_DIGITS(base)[n - 1]);
    if (exponent > (uint64_t)(INT64_MAX / 2) / (uint64_t)bits) return PyErr_NoMemory();
    size_t base_limbs = limbs_for_digits(n), limbs = (size_t)((uint64_t)bits * exponent / 64) + 2 * base_limbs + 4;
    if (limbs > (size_t)PY_SSIZE_T_MAX / 64) return PyErr_NoMemory();
    mp_limb_t *memory = PyMem_Malloc((base_limbs + 2 * limbs) * sizeof(mp_limb_t));
    if (!memory) return PyErr_NoMemory();
    mp_limb_t *factor = memory;
    base_limbs = limbs_pack(factor, LONG_DIGITS(base), n);
    mp_limb_t *volatile result = NULL;
    volatile size_t result_limbs = 0;
    GmpGuard guard;
    bool guarded = limbs > GMP_UNGUARDED_LIMBS;
    if (!guarded || !GMP_GUARD_BEGIN(&guard)) {
        mp_limb_t *x = memory + limbs_for_digits(n), *y = x + limbs;
        size_t size = base_limbs;
        memcpy(x, factor, base_limbs * sizeof(mp_limb_t));
        for (uint64_t bit = (uint64_t)1 << (62 - __builtin_clzll(exponent)); bit; bit >>= 1) {
            mpn_sqr(y, x, (mp_size_t)size);
            size *= 2;
            size -= y[size - 1] == 0;
            mp_limb_t *swap = x;
            x = y;
            y = swap;
            if (exponent & bit) {
                mpn_mul(y, x, (mp_size_t)size, factor, (mp_size_t)base_limbs);
                size += base_limbs;
                size -= y[size - 1] == 0;
                swap = x;
                x = y;
                y = swap;
            }
        }
        result = x;
        result_limbs = size;
    }
    else PyErr_NoMemory();
    if (guarded) gmp_guard_end(&guard);
    PyLongObject *r = result ? long_new_digits(digits_for_limbs(result_limbs)) : NULL;
    if (r) limbs_unpack(LONG_DIGITS(r), digits_for_limbs(result_limbs), result, result_limbs);
    PyMem_Free(memory);
    return r ? long_finish(r, digits_for_limbs(result_limbs), negative) : NULL;
}

/* exponent >= 0 */
static PyObject *power(PyLongObject *base, PyLongObject *exponent)
{
    Thread *t = thread_get();
    bool negative = long_is_negative(base) && !long_is_zero(exponent) && (LONG_DIGITS(exponent)[0] & 1);
    if (long_is_zero(exponent)) return SMALL_INT(1);
    if (long_is_zero(base)) return SMALL_INT(0);
    if (long_ndigits(base) == 1 && LONG_DIGITS(base)[0] == 1) return SMALL_INT(negative ? -1 : 1);
    if (long_ndigits(exponent) > 2) return PyErr_NoMemory();      /* CPython would work until memory ends */
    uint64_t e = (uint64_t)long_short_value(exponent);
    if (e == 1) return long_exact(OBJECT(base));
    if (long_ndigits(base) == 1) {
        digit d = LONG_DIGITS(base)[0];
        if (!(d & (d - 1))) {
            if (e > (uint64_t)INT64_MAX / 32) return PyErr_NoMemory();
            uint64_t shift = e * (unsigned)__builtin_ctz(d);
            return long_lshift_bits(SMALL_INT(negative ? -1 : 1), shift / PyLong_SHIFT, (unsigned)(shift % PyLong_SHIFT));
        }
        if (digit_bits(d) * e <= 128) {
            unsigned __int128 result = 1, factor = d;
            for (uint64_t left = e;;) {
                if (left & 1) result *= factor;
                if (!(left >>= 1)) break;
                factor *= factor;
            }
            return long_from_u128(t, result, negative);
        }
    }
    return power_limbs(base, e, negative);
}

/* base ** exponent % modulus for 0 <= base < modulus < 2^60 */
static uint64_t power_mod_u64(uint64_t base, const PyLongObject *exponent, uint64_t modulus)
{
    uint64_t result = 1 % modulus;
    for (size_t i = long_ndigits(exponent); i--;) {
        for (digit bit = PyLong_BASE >> 1, d = LONG_DIGITS(exponent)[i]; bit; bit >>= 1) {
            if (modulus <= UINT32_MAX) {
                result = result * result % modulus;
                if (d & bit) result = result * base % modulus;
            }
            else {
                result = (uint64_t)((unsigned __int128)result * result % modulus);
                if (d & bit) result = (uint64_t)((unsigned __int128)result * base % modulus);
            }
        }
    }
    return result;
}

/* An mpz that reads v; its limbs in memory from PyMem_Malloc. 0 or -1. */
static int mpz_view(mpz_t z, PyLongObject *v, mp_limb_t **memory)
{
    size_t n = long_ndigits(v);
    *memory = PyMem_Malloc((limbs_for_digits(n) + 1) * sizeof(mp_limb_t));
    if (!*memory) {
        PyErr_NoMemory();
        return -1;
    }
    mp_size_t limbs = (mp_size_t)limbs_pack(*memory, LONG_DIGITS(v), n);
    if (limbs > INT32_MAX / 4) {
        PyErr_NoMemory();
        return -1;
    }
    mpz_roinit_n(z, *memory, long_is_negative(v) ? -limbs : limbs);
    return 0;
}

/* base ** exponent % |modulus| through GMP; exponent < 0 inverts the base. Result in [0, |modulus|). */
static NOINLINE PyObject *power_mod_gmp(PyLongObject *base, PyLongObject *exponent, PyLongObject *modulus)
{
    mp_limb_t *memory[3] = { NULL, NULL, NULL };
    mpz_t b, e, m;
    size_t size = digits_for_limbs(limbs_for_digits(long_ndigits(modulus)));
    PyLongObject *volatile r = NULL;
    if (mpz_view(b, base, &memory[0]) < 0 || mpz_view(e, exponent, &memory[1]) < 0 || mpz_view(m, modulus, &memory[2]) < 0)
        goto done;
    if (!(r = long_new_digits(size))) goto done;
    GmpGuard guard;
    if (GMP_GUARD_BEGIN(&guard)) {
        Py_CLEAR(r);
        PyErr_NoMemory();
    }
    else {
        mpz_t result;
        mpz_init(result);
        bool exists = true;
        if (mpz_sgn(e) < 0) {
            exists = mpz_invert(result, b, m);
            mpz_t positive;
            mpz_roinit_n(positive, mpz_limbs_read(e), (mp_size_t)mpz_size(e));
            if (exists) {
                mpz_t inverse;
                mpz_init_set(inverse, result);
                mpz_powm(result, inverse, positive, m);
                mpz_clear(inverse);
            }
        }
        else mpz_powm(result, b, e, m);
        if (exists) limbs_unpack(LONG_DIGITS(r), size, mpz_limbs_read(result), mpz_size(result));
        mpz_clear(result);
        if (!exists) {
            Py_CLEAR(r);
            PyErr_SetString(PyExc_ValueError, "base is not invertible for the given modulus");
        }
    }
    gmp_guard_end(&guard);
done:
    for (int i = 0; i < 3; i++) PyMem_Free(memory[i]);
    return r ? long_finish(r, size, false) : NULL;
}

static PyObject *power_mod(PyLongObject *base, PyLongObject *exponent, PyLongObject *modulus)
{
    if (long_is_zero(modulus)) {
        PyErr_SetString(PyExc_ValueError, "pow() 3rd argument cannot be 0");
        return NULL;
    }
    if (long_ndigits(modulus) == 1 && LONG_DIGITS(modulus)[0] == 1) return SMALL_INT(0);
    PyObject *result = NULL;
    if (long_is_short(modulus) && long_is_short(base) && !long_is_negative(exponent)) {
        int64_t m = long_short_value(modulus), b = long_short_value(base);
        if (m < 0) m = -m;
        b %= m;
        result = long_from_i64(thread_get(), (int64_t)power_mod_u64((uint64_t)(b < 0 ? b + m : b), exponent, (uint64_t)m));
    }
    else result = power_mod_gmp(base, exponent, modulus);
    if (result && long_is_negative(modulus) && !long_is_zero(LONG(result))) {
        PyObject *moved = long_add(result, OBJECT(modulus));
        Py_SETREF(result, moved);
    }
    return result;
}

PyObject *long_pow(PyObject *base, PyObject *exponent, PyObject *modulus)
{
    if (!PyLong_Check(base) || !PyLong_Check(exponent)) Py_RETURN_NOTIMPLEMENTED;
    if (modulus != Py_None) {
        if (!PyLong_Check(modulus)) Py_RETURN_NOTIMPLEMENTED;
        return power_mod(LONG(base), LONG(exponent), LONG(modulus));
    }
    if (!long_is_negative(LONG(exponent))) return power(LONG(base), LONG(exponent));
    double x = PyLong_AsDouble(base), y = x == -1.0 && PyErr_Occurred() ? 0.0 : PyLong_AsDouble(exponent);
    if ((x == -1.0 || y == -1.0) && PyErr_Occurred()) return NULL;
    PyObject *fx = PyFloat_FromDouble(x), *fy = PyFloat_FromDouble(y);
    PyObject *result = fx && fy ? PyFloat_Type.tp_as_number->nb_power(fx, fy, Py_None) : NULL;
    Py_XDECREF(fx);
    Py_XDECREF(fy);
    return result;
}
