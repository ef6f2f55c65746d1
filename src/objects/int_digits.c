/* Vectors of 30-bit digits: addition, multiplication, division, shifts, and the bridge to GMP's mpn functions.
 *
 * Schoolbook methods serve short vectors, where packing digits into limbs would cost more than it wins; above, mpn. No
 * function here creates objects; those that need memory say so and raise MemoryError. */
#include "objects/int_private.h"

#include <stdlib.h>
#include <string.h>

enum { MUL_LIMB_THRESHOLD = 10, DIV_LIMB_THRESHOLD = 6, STACK_LIMBS = 160 };

/* ---- GMP's memory -------------------------------------------------------------------------------------------------- */

/* The guard that is in force notes the blocks GMP holds, so that they can be freed when it cannot go on. The blocks themselves
 * are plain malloc's: extensions that use GMP, too, share these functions and may free() what it gave them. */
static _Thread_local GmpGuard *gmp_guard;

static COLD NOINLINE void gmp_no_memory(void)
{
    if (gmp_guard) longjmp(gmp_guard->out, 1);
    fputs("GMP: out of memory\n", stderr);
    abort();
}

/* 0, or -1 when there is no memory for the note. */
static int gmp_note(void *block)
{
    GmpGuard *guard = gmp_guard;
    if (!guard) return 0;
    if (guard->count == guard->room) {
        size_t room = guard->room ? guard->room * 2 : 16;
        void **larger = realloc(guard->blocks, room * sizeof *larger);
        if (!larger) return -1;
        guard->blocks = larger;
        guard->room = room;
    }
    guard->blocks[guard->count++] = block;
    return 0;
}

static void gmp_forget(const void *block)
{
    GmpGuard *guard = gmp_guard;
    for (size_t i = guard ? guard->count : 0; i-- > 0;)            /* the last is freed first, mostly */
        if (guard->blocks[i] == block) {
            guard->blocks[i] = guard->blocks[--guard->count];
            return;
        }
}

static void *gmp_allocate(size_t size)
{
    void *block = malloc(size);
    if (!block || gmp_note(block) < 0) {
        free(block);
        gmp_no_memory();
    }
    return block;
}

static void *gmp_reallocate(void *p, size_t old_size, size_t size)
{
    (void)old_size;
    gmp_forget(p);
    void *moved = realloc(p, size);
    if (!moved) {
        gmp_note(p);                          /* has room */
        gmp_no_memory();
    }
    if (gmp_note(moved) < 0) {
        free(moved);
        gmp_no_memory();
    }
    return moved;
}

static void gmp_free(void *p, size_t size)
{
    (void)size;
    gmp_forget(p);
    free(p);
}

void long_init_static(void) { mp_set_memory_functions(gmp_allocate, gmp_reallocate, gmp_free); }

void gmp_guard_push(GmpGuard *guard)
{
    guard->blocks = NULL;
    guard->count = guard->room = 0;
    guard->previous = gmp_guard;
    gmp_guard = guard;
}

void gmp_guard_end(GmpGuard *guard)
{
    for (size_t i = 0; i < guard->count; i++) free(guard->blocks[i]);
    free(guard->blocks);
    gmp_guard = guard->previous;
}

/* ---- packing -------------------------------------------------------------------------------------------------------- */

size_t limbs_pack(mp_limb_t *limbs, const digit *a, size_t n)
{
    size_t count = 0;
    uint64_t low = 0;
    unsigned bits = 0;
    for (size_t i = 0; i < n; i++) {
        uint64_t d = a[i];
        low |= d << bits;
        bits += PyLong_SHIFT;
        if (bits >= 64) {
            limbs[count++] = low;
            bits -= 64;
            low = d >> (PyLong_SHIFT - bits);
        }
    }
    if (bits) limbs[count++] = low;
    assert(count == limbs_for_digits(n));
    while (count && !limbs[count - 1]) count--;
    return count;
}

void limbs_unpack(digit *a, size_t n, const mp_limb_t *limbs, size_t nlimbs)
{
    unsigned __int128 window = 0;
    unsigned bits = 0;
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        if (bits < PyLong_SHIFT && at < nlimbs) {
            window |= (unsigned __int128)limbs[at++] << bits;
            bits += 64;
        }
        a[i] = (digit)window & PyLong_MASK;
        window >>= PyLong_SHIFT;
        bits = bits > PyLong_SHIFT ? bits - PyLong_SHIFT : 0;
    }
    assert(window == 0);
}

/* ---- addition, subtraction, comparison --------------------------------------------------------------------------------- */

digit digits_add(digit *r, const digit *a, size_t an, const digit *b, size_t bn)
{
    digit carry = 0;
    size_t i = 0;
    for (; i < bn; i++) {
        carry += a[i] + b[i];
        r[i] = carry & PyLong_MASK;
        carry >>= PyLong_SHIFT;
    }
    for (; i < an && carry; i++) {
        carry += a[i];
        r[i] = carry & PyLong_MASK;
        carry >>= PyLong_SHIFT;
    }
    if (i < an && r != a) memcpy(r + i, a + i, (an - i) * sizeof(digit));
    return carry;
}

void digits_sub(digit *r, const digit *a, size_t an, const digit *b, size_t bn)
{
    digit borrow = 0;
    size_t i = 0;
    for (; i < bn; i++) {
        borrow = a[i] - b[i] - borrow;
        r[i] = borrow & PyLong_MASK;
        borrow = borrow >> 31;
    }
    for (; i < an && borrow; i++) {
        borrow = a[i] - borrow;
        r[i] = borrow & PyLong_MASK;
        borrow = borrow >> 31;
    }
    assert(!borrow);
    if (i < an && r != a) memcpy(r + i, a + i, (an - i) * sizeof(digit));
}

int digits_compare(const digit *a, size_t an, const digit *b, size_t bn)
{
    if (an != bn) return an < bn ? -1 : 1;
    while (an--) {
        if (a[an] != b[an]) return a[an] < b[an] ? -1 : 1;
    }
    return 0;
}

digit digits_shl(digit *r, const digit *a, size_t an, unsigned shift)
{
    assert(shift < PyLong_SHIFT);
    digit carry = 0;
    for (size_t i = 0; i < an; i++) {
        twodigits wide = (twodigits)a[i] << shift | carry;
        r[i] = (digit)wide & PyLong_MASK;
        carry = (digit)(wide >> PyLong_SHIFT);
    }
    return carry;
}

digit digits_shr(digit *r, const digit *a, size_t an, unsigned shift)
{
    assert(shift < PyLong_SHIFT);
    digit carry = 0, mask = ((digit)1 << shift) - 1;
    while (an--) {
        digit d = a[an];
        r[an] = (digit)(((twodigits)carry << PyLong_SHIFT | d) >> shift);
        carry = d & mask;
    }
    return carry;
}

/* ---- multiplication ------------------------------------------------------------------------------------------------------ */

/* r = a * factor + carry; returns the last carry. r may be a. */
static digit digits_mul_small(digit *r, const digit *a, size_t an, digit factor, digit carry)
{
    twodigits wide = carry;
    for (size_t i = 0; i < an; i++) {
        wide += (twodigits)a[i] * factor;
        r[i] = (digit)wide & PyLong_MASK;
        wide >>= PyLong_SHIFT;
    }
    return (digit)wide;
}

/* bn rows of an columns; a is the longer one. */
static void mul_school(digit *r, const digit *a, size_t an, const digit *b, size_t bn)
{
    r[an] = digits_mul_small(r, a, an, b[0], 0);
    for (size_t j = 1; j < bn; j++) {
        twodigits wide = 0, factor = b[j];
        digit *row = r + j;
        for (size_t i = 0; i < an; i++) {
            wide += row[i] + a[i] * factor;
            row[i] = (digit)wide & PyLong_MASK;
            wide >>= PyLong_SHIFT;
        }
        row[an] = (digit)wide;
    }
}

static NOINLINE int mul_limbs(digit *r, const digit *a, size_t an, const digit *b, size_t bn)
{
    mp_limb_t stack[STACK_LIMBS], *volatile memory = stack;     /* volatile: read again after a longjmp */
    size_t al = limbs_for_digits(an), bl = limbs_for_digits(bn), total = 2 * (al + bl);
    bool square = a == b && an == bn;
    if (total > STACK_LIMBS && !(memory = PyMem_Malloc(total * sizeof(mp_limb_t)))) {
        PyErr_NoMemory();
        return -1;
    }
    mp_limb_t *ap = memory, *bp = ap + al, *rp = bp + bl;
    limbs_pack(ap, a, an);
    if (!square) limbs_pack(bp, b, bn);
    int status = 0;
    GmpGuard guard;
    bool guarded = al + bl > GMP_UNGUARDED_LIMBS;
    if (guarded && GMP_GUARD_BEGIN(&guard)) status = -1;
    else {
        if (square) mpn_sqr(rp, ap, (mp_size_t)al);
        else if (al >= bl) mpn_mul(rp, ap, (mp_size_t)al, bp, (mp_size_t)bl);
        else mpn_mul(rp, bp, (mp_size_t)bl, ap, (mp_size_t)al);
    }
    if (guarded) gmp_guard_end(&guard);
    if (status < 0) PyErr_NoMemory();
    else limbs_unpack(r, an + bn, memory + al + bl, al + bl);
    if (memory != stack) PyMem_Free(memory);
    return status;
}

int digits_mul(digit *r, const digit *a, size_t an, const digit *b, size_t bn)
{
    if (an < bn) {
        const digit *swap = a;
        size_t n = an;
        a = b; an = bn;
        b = swap; bn = n;
    }
    if (bn >= MUL_LIMB_THRESHOLD) return mul_limbs(r, a, an, b, bn);
    mul_school(r, a, an, b, bn);
    return 0;
}

/* ---- division ------------------------------------------------------------------------------------------------------------ */

/* q = a / divisor, returns the remainder. q may be a. */
static digit digits_div_small(digit *q, const digit *a, size_t an, digit divisor)
{
    twodigits rest = 0;
    while (an--) {
        rest = rest << PyLong_SHIFT | a[an];
        digit quotient = (digit)(rest / divisor);
        if (q) q[an] = quotient;
        rest -= (twodigits)quotient * divisor;
    }
    return (digit)rest;
}

/* Knuth's algorithm D. u: an + 1 digits of scratch, v: bn digits. */
static void div_school(digit *q, digit *r, const digit *a, size_t an, const digit *b, size_t bn, digit *u, digit *v)
{
    unsigned shift = PyLong_SHIFT - digit_bits(b[bn - 1]);
    digits_shl(v, b, bn, shift);
    u[an] = digits_shl(u, a, an, shift);
    digit top = v[bn - 1], second = v[bn - 2];
    for (size_t j = an - bn + 1; j--;) {
        twodigits numerator = (twodigits)u[j + bn] << PyLong_SHIFT | u[j + bn - 1];
        twodigits estimate = numerator / top, rest = numerator - estimate * top;
        while (estimate > PyLong_MASK || estimate * second > (rest << PyLong_SHIFT | u[j + bn - 2])) {
            estimate--;
            rest += top;
            if (rest > PyLong_MASK) break;
        }
        stwodigits borrow = 0;
        for (size_t i = 0; i < bn; i++) {
            borrow += (stwodigits)u[i + j] - (stwodigits)(estimate * v[i]);
            u[i + j] = (digit)borrow & PyLong_MASK;
            borrow >>= PyLong_SHIFT;
        }
        borrow += u[j + bn];
        u[j + bn] = (digit)borrow & PyLong_MASK;
        if (borrow < 0) {                     /* the estimate was one too large: add back */
            u[j + bn] = (u[j + bn] + digits_add(u + j, u + j, bn, v, bn)) & PyLong_MASK;
            estimate--;
        }
        if (q) q[j] = (digit)estimate;
    }
    if (r) digits_shr(r, u, bn, shift);
}

static int div_limbs(digit *q, digit *r, const digit *a, size_t an, const digit *b, size_t bn)
{
    mp_limb_t stack[STACK_LIMBS], *volatile memory = stack;
    size_t al = limbs_for_digits(an), bl = limbs_for_digits(bn), total = al + bl + (al - bl + 2) + bl;
    if (total > STACK_LIMBS && !(memory = PyMem_Malloc(total * sizeof(mp_limb_t)))) {
        PyErr_NoMemory();
        return -1;
    }
    mp_limb_t *ap = memory, *bp = ap + al, *rp = bp + bl, *qp = rp + bl;
    al = limbs_pack(ap, a, an);
    bl = limbs_pack(bp, b, bn);
    int status = 0;
    GmpGuard guard;
    bool guarded = al > GMP_UNGUARDED_LIMBS;
    if (guarded && GMP_GUARD_BEGIN(&guard)) status = -1;
    else mpn_tdiv_qr(qp, rp, 0, ap, (mp_size_t)al, bp, (mp_size_t)bl);
    if (guarded) gmp_guard_end(&guard);
    if (status < 0) PyErr_NoMemory();
    else {
        if (r) limbs_unpack(r, bn, rp, bl);
        if (q) limbs_unpack(q, an - bn + 1, qp, al - bl + 1);
    }
    if (memory != stack) PyMem_Free(memory);
    return status;
}

int digits_divrem(digit *q, digit *r, const digit *a, size_t an, const digit *b, size_t bn)
{
    assert(bn >= 1 && an >= bn && b[bn - 1]);
    if (bn == 1) {
        digit rest = digits_div_small(q, a, an, b[0]);
        if (r) r[0] = rest;
        return 0;
    }
    if (bn >= DIV_LIMB_THRESHOLD && an - bn >= 2) return div_limbs(q, r, a, an, b, bn);
    digit stack[128], *memory = stack;
    if (an + 1 + bn > 128 && !(memory = PyMem_Malloc((an + 1 + bn) * sizeof(digit)))) {
        PyErr_NoMemory();
        return -1;
    }
    div_school(q, r, a, an, b, bn, memory, memory + an + 1);
    if (memory != stack) PyMem_Free(memory);
    return 0;
}
