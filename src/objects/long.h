/* int: the inline paths for values of one or two digits, and what the rest of Taipan may call beyond Python.h.
 *
 * Layout (cpython/longintrepr.h): lv_tag = number of 30-bit digits << 3 | sign (0 positive, 1 zero, 2 negative). The words
 * used here: *compact* is at most one digit, *short* at most two (|v| < 2^60, so that sums and differences fit 64 bits).
 * Values from -5 to 256 are the immortal objects in _PyRuntime.small_ints, always: `is` on them is a guarantee of CPython's. */
#ifndef TAIPAN_OBJECTS_LONG_H
#define TAIPAN_OBJECTS_LONG_H

#include "runtime/state.h"
#include "memory/alloc.h"

/* Exact ints of at most that many digits are slots of a page, allocated and freed inline; longer ones are PyObject_Malloc's. */
enum { LONG_PAGE_DIGITS = 200 };

#define LONG(o) ((PyLongObject *)(o))
#define LONG_TAG(v) (LONG(v)->long_value.lv_tag)
#define LONG_DIGITS(v) (LONG(v)->long_value.ob_digit)

enum { LONG_POSITIVE = 0, LONG_ZERO = 1, LONG_NEGATIVE = 2 };

static inline size_t long_ndigits(const PyLongObject *v) { return v->long_value.lv_tag >> _PyLong_NON_SIZE_BITS; }
static inline bool long_is_negative(const PyLongObject *v) { return v->long_value.lv_tag & LONG_NEGATIVE; }
static inline bool long_is_zero(const PyLongObject *v) { return v->long_value.lv_tag & LONG_ZERO; }
static inline int long_sign(const PyLongObject *v) { return 1 - (int)(v->long_value.lv_tag & _PyLong_SIGN_MASK); }
static inline void long_set_tag(PyLongObject *v, size_t ndigits, bool negative)
{
    v->long_value.lv_tag = ndigits << _PyLong_NON_SIZE_BITS | (ndigits == 0 ? LONG_ZERO : negative ? LONG_NEGATIVE : LONG_POSITIVE);
}

static inline bool long_is_compact(const PyLongObject *v) { return v->long_value.lv_tag < 2 << _PyLong_NON_SIZE_BITS; }
static inline bool long_both_compact(const PyLongObject *a, const PyLongObject *b)
{
    return (a->long_value.lv_tag | b->long_value.lv_tag) < 2 << _PyLong_NON_SIZE_BITS;
}
static inline int64_t long_compact_value(const PyLongObject *v)
{
    return (1 - (int64_t)(v->long_value.lv_tag & _PyLong_SIGN_MASK)) * (int64_t)v->long_value.ob_digit[0];
}

static inline bool long_is_short(const PyLongObject *v) { return v->long_value.lv_tag < 3 << _PyLong_NON_SIZE_BITS; }
static inline int64_t long_short_value(const PyLongObject *v)
{
    uintptr_t tag = v->long_value.lv_tag;
    uint64_t magnitude = v->long_value.ob_digit[0];
    if (tag >= 2 << _PyLong_NON_SIZE_BITS) magnitude |= (uint64_t)v->long_value.ob_digit[1] << PyLong_SHIFT;
    return (1 - (int64_t)(tag & _PyLong_SIGN_MASK)) * (int64_t)magnitude;
}

/* An int of exactly ndigits digits, tag and digits uninitialised. NULL with MemoryError. */
static ALWAYS_INLINE PyLongObject *long_alloc_small(Thread *t, size_t ndigits)
{
    PyLongObject *v = heap_alloc(t->heap, PAGE_PLAIN, offsetof(PyLongObject, long_value.ob_digit) + ndigits * sizeof(digit));
    if (UNLIKELY(!v)) return (PyLongObject *)PyErr_NoMemory();
    v->ob_base.ob_refcnt = 1;
    v->ob_base.ob_type = &PyLong_Type;
    return v;
}

/* Out of line: any magnitude. New reference. */
PyObject *long_from_magnitude(Thread *t, uint64_t magnitude, bool negative);
PyObject *long_from_u128(Thread *t, unsigned __int128 magnitude, bool negative);

/* New reference, or NULL with MemoryError. */
static ALWAYS_INLINE PyObject *long_from_i64(Thread *t, int64_t value)
{
    if ((uint64_t)value - (uint64_t)(int64_t)SMALL_INT_MIN < SMALL_INT_COUNT) return SMALL_INT(value);
    uint64_t magnitude = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    if (UNLIKELY(magnitude > PyLong_MASK)) return long_from_magnitude(t, magnitude, value < 0);
    PyLongObject *v = long_alloc_small(t, 1);
    if (UNLIKELY(!v)) return NULL;
    v->long_value.lv_tag = 1 << _PyLong_NON_SIZE_BITS | (value < 0 ? LONG_NEGATIVE : LONG_POSITIVE);
    v->long_value.ob_digit[0] = (digit)magnitude;
    return OBJECT(v);
}

/* For the specialised instructions: both operands exact ints and compact. New reference. */
static ALWAYS_INLINE PyObject *long_add_compact(Thread *t, const PyLongObject *a, const PyLongObject *b)
{
    return long_from_i64(t, long_compact_value(a) + long_compact_value(b));
}
static ALWAYS_INLINE PyObject *long_sub_compact(Thread *t, const PyLongObject *a, const PyLongObject *b)
{
    return long_from_i64(t, long_compact_value(a) - long_compact_value(b));
}
static ALWAYS_INLINE PyObject *long_mul_compact(Thread *t, const PyLongObject *a, const PyLongObject *b)
{
    return long_from_i64(t, long_compact_value(a) * long_compact_value(b));
}

/* Any exact ints or subclasses; new reference. The bodies of BINARY_OP_ADD_INT and its like. */
PyObject *long_add(PyObject *a, PyObject *b);
PyObject *long_sub(PyObject *a, PyObject *b);
PyObject *long_mul(PyObject *a, PyObject *b);

/* -1, 0, 1; never fails. */
int long_compare(const PyLongObject *a, const PyLongObject *b);

/* The text of v in base 2, 8, 10 or 16 (any of 2 to 36), with 0b, 0o, 0x when prefix. New str; ValueError over the limit of digits. */
PyObject *long_to_text(PyObject *v, int base, bool prefix);

/* Fraction in [0.5, 1) rounded to even and binary exponent: v = fraction * 2**exponent. Never fails; 0 gives 0, 0. */
double long_frexp(const PyLongObject *v, int64_t *exponent);

/* The greatest integer whose square is at most v (v >= 0). */
PyObject *long_isqrt(PyObject *v);

/* (quotient rounded to nearest even, remainder) or NULL. */
PyObject *long_divmod_near(PyObject *a, PyObject *b);

/* The int that text of length bytes spells, as int(bytes, base) reads it; base valid. ValueError shows the text as bytes. */
PyObject *long_from_bytes(const char *text, Py_ssize_t length, int base);

/* tp_dealloc of an exact int whose count reached zero. */
static ALWAYS_INLINE void long_dealloc_exact(PyObject *v)
{
    if (LIKELY(long_ndigits(LONG(v)) <= LONG_PAGE_DIGITS && (uintptr_t)v - (uintptr_t)_PyRuntime.small_ints >= sizeof _PyRuntime.small_ints))
        heap_free(v);
    else Py_TYPE(v)->tp_dealloc(v);
}

/* Once a process, before anything is computed: GMP gets its memory from us. */
void long_init_static(void);

#endif
