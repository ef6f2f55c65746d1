/* Shared by math*.c. Each file has a table of functions, which the module adds. */
#ifndef TAIPAN_MODULES_MATH_PRIVATE_H
#define TAIPAN_MODULES_MATH_PRIVATE_H

#include "capi/args.h"

#include <errno.h>
#include <float.h>
#include <math.h>

extern PyMethodDef math_integer_methods[], math_sum_methods[];

/* The greatest integer whose square is at most v, an int that is not negative (objects/int_arith.c). */
PyObject *long_isqrt(PyObject *v);

/* A sum or product without error: high + low. */
typedef struct Pair { double high, low; } Pair;

static inline Pair pair_product(double x, double y)
{
    double product = x * y;
    return (Pair){ product, fma(x, y, -product) };
}

/* |a| >= |b| */
static inline Pair pair_sum_ordered(double a, double b)
{
    double sum = a + b;
    return (Pair){ sum, (a - sum) + b };
}

static inline Pair pair_sum(double a, double b)
{
    double sum = a + b, part = sum - a;
    return (Pair){ sum, (a - (sum - part)) + (b - part) };
}

#endif
