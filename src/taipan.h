/* What every file of Taipan may assume: the public headers of Python 3.13 and a few words for the compiler.
 * Include this first (it brings <Python.h>, whose pyconfig.h sets _GNU_SOURCE and the like). */
#ifndef TAIPAN_H
#define TAIPAN_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LIKELY(x)    __builtin_expect(!!(x), 1)
#define UNLIKELY(x)  __builtin_expect(!!(x), 0)
#define COLD         __attribute__((cold))
#define NOINLINE     __attribute__((noinline))
#define ALWAYS_INLINE inline __attribute__((always_inline))
#define FALLTHROUGH  __attribute__((fallthrough))
#define PRINTF_LIKE(format, first) __attribute__((format(printf, format, first)))
/* In front of a loop that runs a few times only: not worth unrolling or vectors. */
#ifdef __clang__
#define SHORT_LOOP _Pragma("clang loop vectorize(disable) unroll(disable)")
#else
#define SHORT_LOOP _Pragma("GCC unroll 1")
#endif
#define ARRAY_LENGTH(a) (sizeof(a) / sizeof((a)[0]))

/* The object of a struct that begins with PyObject_HEAD. */
#define OBJECT(p) ((PyObject *)(p))

#endif
