/* Arithmetic on vectors of 30-bit digits, least significant first: for long.c and int_*.c only.
 *
 * Names: (a, an) is a vector and its length; lengths may include leading zeros unless a function says otherwise. Results
 * may be the same memory as an operand where the comment says so. Products, quotients and texts of long vectors go through
 * GMP's mpn layer, which works on 64-bit limbs: packing and unpacking is linear, the rest is not. */
#ifndef TAIPAN_OBJECTS_INT_PRIVATE_H
#define TAIPAN_OBJECTS_INT_PRIVATE_H

#include "objects/long.h"

#include <gmp.h>
#include <setjmp.h>

_Static_assert(PyLong_SHIFT == 30 && GMP_NUMB_BITS == 64, "packing of digits in limbs");

/* What sizes and counts must stay below: the tag has 61 bits for the number of digits, allocation sizes are signed. */
#define LONG_MAX_DIGITS ((size_t)(PY_SSIZE_T_MAX - offsetof(PyLongObject, long_value.ob_digit)) / sizeof(digit))

static inline size_t digits_trim(const digit *a, size_t an)
{
    while (an && !a[an - 1]) an--;
    return an;
}

static inline unsigned digit_bits(digit d) { return d ? 32u - (unsigned)__builtin_clz(d) : 0; }

/* r = a + b, an >= bn; returns the carry (0 or 1). r may be a or b. */
digit digits_add(digit *r, const digit *a, size_t an, const digit *b, size_t bn);
/* r = a - b, a >= b as numbers, an >= bn. r may be a or b. */
void digits_sub(digit *r, const digit *a, size_t an, const digit *b, size_t bn);
int digits_compare(const digit *a, size_t an, const digit *b, size_t bn);       /* both trimmed */
/* r[0 .. an + bn) = a * b; r is neither. an and bn > 0. 0, or -1 with MemoryError. */
int digits_mul(digit *r, const digit *a, size_t an, const digit *b, size_t bn);
/* q[0 .. an - bn + 1) = a / b, r[0 .. bn) = a % b; trimmed operands, an >= bn >= 1. q or r may be NULL. */
int digits_divrem(digit *q, digit *r, const digit *a, size_t an, const digit *b, size_t bn);
/* r[0 .. an) = a << shift, shift < 30; returns what went out. r may be a. */
digit digits_shl(digit *r, const digit *a, size_t an, unsigned shift);
/* r[0 .. an) = a >> shift, shift < 30; returns the bits that went out. r may be a. */
digit digits_shr(digit *r, const digit *a, size_t an, unsigned shift);

/* Limbs that hold n digits. */
static inline size_t limbs_for_digits(size_t n) { return (n * PyLong_SHIFT + 63) / 64; }
static inline size_t digits_for_limbs(size_t n) { return (n * 64 + PyLong_SHIFT - 1) / PyLong_SHIFT; }
/* Writes all limbs_for_digits(n) limbs and returns how many there are without leading zeros. */
size_t limbs_pack(mp_limb_t *limbs, const digit *a, size_t n);
/* Writes all n digits; what does not fit must be zero. */
void limbs_unpack(digit *a, size_t n, const mp_limb_t *limbs, size_t nlimbs);

/* GMP aborts when it finds no memory. Work on more than GMP_UNGUARDED_LIMBS runs under a guard, which comes back instead:
 *
 *     GmpGuard guard;
 *     if (GMP_GUARD_BEGIN(&guard)) goto no_memory;      (GMP's own temporary memory has been freed)
 *     mpn_...
 *     gmp_guard_end(&guard);
 *
 * Below that size GMP takes its scratch from the stack only. */
enum { GMP_UNGUARDED_LIMBS = 400 };
typedef struct GmpGuard {
    jmp_buf out;
    void **blocks;                            /* what GMP holds: count of them, in an array for room */
    size_t count, room;
    struct GmpGuard *previous;
} GmpGuard;
void gmp_guard_push(GmpGuard *guard);
void gmp_guard_end(GmpGuard *guard);
#define GMP_GUARD_BEGIN(guard) (gmp_guard_push(guard), _setjmp((guard)->out))

/* A new int of n digits, digits uninitialised, tag set to n digits positive. OverflowError or MemoryError. */
PyLongObject *long_new_digits(size_t n);
/* Drops leading zeros, replaces small values by their one object. Steals v (exact int, only reference). Sets the sign. */
PyObject *long_finish(PyLongObject *v, size_t n, bool negative);

/* |v| as an int of the exact type, new reference; v itself for non-negative exact ints. */
PyObject *long_exact(PyObject *v);

/* int_arith.c: operations on int objects or instances of subclasses. New references. */
PyObject *long_neg(PyObject *v);
PyObject *long_abs(PyObject *v);
PyObject *long_invert(PyObject *v);
PyObject *long_floor_divide(PyObject *a, PyObject *b);
PyObject *long_modulo(PyObject *a, PyObject *b);
PyObject *long_divmod(PyObject *a, PyObject *b);
PyObject *long_lshift(PyObject *a, PyObject *b);
PyObject *long_rshift(PyObject *a, PyObject *b);
PyObject *long_and(PyObject *a, PyObject *b);
PyObject *long_or(PyObject *a, PyObject *b);
PyObject *long_xor(PyObject *a, PyObject *b);
PyObject *long_lshift_bits(PyObject *v, size_t words, unsigned bits);     /* shifts by 30 * words + bits */
PyObject *long_rshift_bits(PyObject *v, size_t words, unsigned bits);

/* int_power.c */
PyObject *long_true_divide(PyObject *a, PyObject *b);
PyObject *long_pow(PyObject *base, PyObject *exponent, PyObject *modulus);    /* the slot: may be NotImplemented */

/* int_convert.c: two's complement into exactly n bytes. -1 when it does not fit, with OverflowError if raise. */
int long_to_bytes(const PyLongObject *v, unsigned char *bytes, size_t n, bool little, bool is_signed, bool raise);

#endif
