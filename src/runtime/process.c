/* Process (_PyRuntime): what is one by nature, as initialised data, so that a start has next to nothing to do.
 *
 * Everything here is immortal. Hashes of the strings are filled in by unicode_init_static, because they depend on the seed. */
#include "runtime/state.h"

#define STATIC_ASCII(n, interning) { \
    .ob_base = { { _Py_IMMORTAL_REFCNT }, &PyUnicode_Type }, .length = (n), .hash = -1, \
    .state = { .interned = (interning), .kind = PyUnicode_1BYTE_KIND, .compact = 1, .ascii = 1, .statically_allocated = 1 } }

#define STATIC_LATIN1(i) { \
    .head = { \
        ._base = { \
            .ob_base = { { _Py_IMMORTAL_REFCNT }, &PyUnicode_Type }, .length = 1, .hash = -1, \
            .state = { .interned = SSTATE_INTERNED_IMMORTAL_STATIC, .kind = PyUnicode_1BYTE_KIND, .compact = 1, .statically_allocated = 1 } }, \
        .utf8_length = 2, .utf8 = (char *)latin1_utf8[i] }, \
    .text = { (char)(128 + (i)), 0 } },

#define TIMES4(X, i) X(i) X((i) + 1) X((i) + 2) X((i) + 3)
#define TIMES16(X, i) TIMES4(X, i) TIMES4(X, (i) + 4) TIMES4(X, (i) + 8) TIMES4(X, (i) + 12)
#define TIMES64(X, i) TIMES16(X, i) TIMES16(X, (i) + 16) TIMES16(X, (i) + 32) TIMES16(X, (i) + 48)
#define TIMES128(X) TIMES64(X, 0) TIMES64(X, 64)
#define TIMES256(X) TIMES128(X) TIMES64(X, 128) TIMES64(X, 192)

#define UTF8_OF(i) { (char)(0xc0 | ((128 + (i)) >> 6)), (char)(0x80 | ((i) & 0x3f)), 0 },
static const char latin1_utf8[128][3] = { TIMES128(UTF8_OF) };

#define CHAR_OF(i) { .head = STATIC_ASCII(1, SSTATE_INTERNED_IMMORTAL_STATIC), .text = { (char)(i), 0 } },
#define BYTE_OF(i) { .head = { .ob_base = { { { _Py_IMMORTAL_REFCNT }, &PyBytes_Type }, 1 }, .ob_shash = -1, .ob_sval = { (char)(i) } } },

/* A sign and a digit: 0 positive, 1 zero, 2 negative, in the two lowest bits of lv_tag; bit 3 and up count the digits. */
#define INT_OF(i) { \
    .ob_base = { { _Py_IMMORTAL_REFCNT }, &PyLong_Type }, \
    .long_value = { .lv_tag = (i) < 0 ? 8 | 2 : (i) == 0 ? 1 : 8, .ob_digit = { (i) < 0 ? -(i) : (i) } } },

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"     /* ob_shash is the only place of a hash */
Process _PyRuntime = {
    .names = {
#define NAME(x) .str_##x = { STATIC_ASCII(sizeof #x - 1, SSTATE_INTERNED_IMMORTAL_STATIC), #x },
#include "runtime/names.def"
    },
    .small_ints = { INT_OF(-5) INT_OF(-4) INT_OF(-3) INT_OF(-2) INT_OF(-1) TIMES256(INT_OF) INT_OF(256) },
    .ascii = { TIMES128(CHAR_OF) },
    .latin1 = { TIMES128(STATIC_LATIN1) },
    .empty_str = { .head = STATIC_ASCII(0, SSTATE_INTERNED_IMMORTAL_STATIC) },
    .bytes = { TIMES256(BYTE_OF) },
    .empty_bytes = { .ob_base = { { { _Py_IMMORTAL_REFCNT }, &PyBytes_Type }, 0 }, .ob_shash = -1 },
    .empty_tuple = { .ob_base = { { { _Py_IMMORTAL_REFCNT }, &PyTuple_Type }, 0 } },
};
#pragma GCC diagnostic pop

_Static_assert(SMALL_INT_MIN == -5 && SMALL_INT_MAX == 256, "the list of small integers above is written out");

/* A name of one character would be a second string beside the one in .ascii: take that one. */
#define NAME(x) _Static_assert(sizeof #x > 2, "names of one character are in _PyRuntime.ascii");
#include "runtime/names.def"
