/* math: functions of integers. */
#include "modules/math_private.h"

#include <limits.h>

/* ---- gcd, lcm ------------------------------------------------------------------------------------------------------------------------------------ */

/* The integers, brought down to one by function, which takes two; nothing when there are none. */
static PyObject *fold_integers(PyObject *const *args, Py_ssize_t nargs, long nothing, PyObject *(*function)(PyObject *, PyObject *))
{
    if (nargs == 0) return PyLong_FromLong(nothing);
    PyObject *result = PyNumber_Index(args[0]);
    if (!result) return NULL;
    if (nargs == 1) {
        Py_SETREF(result, PyNumber_Absolute(result));
        return result;
    }
    for (Py_ssize_t i = 1; i < nargs && result; i++) {
        PyObject *other = PyNumber_Index(args[i]);
        if (!other) {
            Py_DECREF(result);
            return NULL;
        }
        Py_SETREF(result, function(result, other));
        Py_DECREF(other);
    }
    return result;
}

BUILTIN_FAST(math, gcd, "($module, *integers)", "Greatest common divisor.") { return fold_integers(args, nargs, 0, _PyLong_GCD); }

static PyObject *lcm_of(PyObject *a, PyObject *b)
{
    if (_PyLong_Sign(a) == 0 || _PyLong_Sign(b) == 0) return PyLong_FromLong(0);
    PyObject *g = _PyLong_GCD(a, b), *part = g ? PyNumber_FloorDivide(a, g) : NULL, *m = part ? PyNumber_Multiply(part, b) : NULL;
    Py_XDECREF(g);
    Py_XDECREF(part);
    if (m) Py_SETREF(m, PyNumber_Absolute(m));
    return m;
}

BUILTIN_FAST(math, lcm, "($module, *integers)", "Least common multiple.") { return fold_integers(args, nargs, 1, lcm_of); }

/* ---- square root ------------------------------------------------------------------------------------------------------------------------------- */

BUILTIN_O(math, isqrt, "($module, n, /)", "The whole part of the square root of n.")
{
    PyObject *n = PyNumber_Index(arg), *result;
    if (!n) return NULL;
    int sign = _PyLong_Sign(n);
    if (sign < 0) {
        PyErr_SetString(PyExc_ValueError, "isqrt() argument must be nonnegative");
        result = NULL;
    }
    else if (sign == 0) result = PyLong_FromLong(0);
    else if (_PyLong_NumBits(n) <= 62) {
        int64_t value = PyLong_AsLongLong(n), root = (int64_t)sqrt((double)value);
        while (root * root > value) root--;
        while ((root + 1) * (root + 1) <= value) root++;
        result = PyLong_FromLongLong(root);
    }
    else result = long_isqrt(n);
    Py_DECREF(n);
    return result;
}

/* ---- products of ranges ------------------------------------------------------------------------------------------------------------------------ */

/* start * (start + step) * ... below end, by halves, so that factors are of similar size. start < end. */
static PyObject *range_product(unsigned long start, unsigned long end, unsigned long step)
{
    unsigned long count = (end - start + step - 1) / step, largest = start + (count - 1) * step;
    unsigned bits = largest ? 64 - (unsigned)__builtin_clzl(largest) : 0;
    if (count * bits <= 64 && count <= 64) {
        unsigned long product = 1;
        for (unsigned long i = 0; i < count; i++) product *= start + i * step;
        return PyLong_FromUnsignedLong(product);
    }
    unsigned long middle = start + count / 2 * step;
    PyObject *left = range_product(start, middle, step), *right = left ? range_product(middle, end, step) : NULL, *product = NULL;
    if (right) product = PyNumber_Multiply(left, right);
    Py_XDECREF(left);
    Py_XDECREF(right);
    return product;
}

/* The odd part of n!: the product over i of the odd numbers in (n >> i+1, n >> i], each power i + 1 times. */
static PyObject *factorial_odd_part(unsigned long n)
{
    PyObject *inner = PyLong_FromLong(1), *outer = PyLong_FromLong(1);
    unsigned long upper = 3;
    for (int i = n ? 62 - __builtin_clzl(n | 1) : -1; i >= 0 && inner && outer; i--) {
        unsigned long v = n >> i;
        if (v <= 2) continue;
        unsigned long lower = upper;
        upper = (v + 1) | 1;
        if (lower < upper) {
            PyObject *part = range_product(lower, upper, 2);
            Py_SETREF(inner, part ? PyNumber_Multiply(inner, part) : NULL);
            Py_XDECREF(part);
            if (!inner) break;
        }
        Py_SETREF(outer, PyNumber_Multiply(outer, inner));
    }
    if (!inner) Py_CLEAR(outer);
    Py_XDECREF(inner);
    return outer;
}

BUILTIN_O(math, factorial, "($module, n, /)", "n!, the product of the integers from 1 to n.")
{
    static const unsigned long small[] = {
        1, 1, 2, 6, 24, 120, 720, 5040, 40320, 362880, 3628800, 39916800, 479001600, 6227020800, 87178291200, 1307674368000,
        20922789888000, 355687428096000, 6402373705728000, 121645100408832000, 2432902008176640000,
    };
    int overflow;
    long n = PyLong_AsLongAndOverflow(arg, &overflow);
    if (n == -1 && PyErr_Occurred()) return NULL;
    if (overflow > 0) {
        PyErr_Format(PyExc_OverflowError, "factorial() argument should not exceed %ld", LONG_MAX);
        return NULL;
    }
    if (overflow < 0 || n < 0) {
        PyErr_SetString(PyExc_ValueError, "factorial() not defined for negative values");
        return NULL;
    }
    if ((size_t)n < ARRAY_LENGTH(small)) return PyLong_FromUnsignedLong(small[n]);
    PyObject *odd = factorial_odd_part((unsigned long)n), *twos = PyLong_FromLong(n - __builtin_popcountl((unsigned long)n)), *result = NULL;
    if (odd && twos) result = PyNumber_Lshift(odd, twos);
    Py_XDECREF(odd);
    Py_XDECREF(twos);
    return result;
}

/* ---- permutations, combinations ------------------------------------------------------------------------------------------------------------------ */


static PyObject *less(PyObject *n, unsigned long long k)
{
    PyObject *subtrahend = PyLong_FromUnsignedLongLong(k), *result = subtrahend ? PyNumber_Subtract(n, subtrahend) : NULL;
    Py_XDECREF(subtrahend);
    return result;
}

/* n * (n - 1) * ... k factors, k >= 1, n >= k */
static PyObject *falling(PyObject *n, unsigned long long k)
{
    if (k == 1) return Py_NewRef(n);
    if (_PyLong_NumBits(n) <= 62) {
        unsigned long top = (unsigned long)PyLong_AsLongLong(n);
        return range_product(top - k + 1, top + 1, 1);
    }
    unsigned long long half = k / 2;
    PyObject *left = falling(n, half), *rest = left ? less(n, half) : NULL, *right = rest ? falling(rest, k - half) : NULL;
    PyObject *result = right ? PyNumber_Multiply(left, right) : NULL;
    Py_XDECREF(left);
    Py_XDECREF(rest);
    Py_XDECREF(right);
    return result;
}

/* C(n, k) = C(n, j) * C(n - j, k - j) / C(k, j); 0 < k <= n */
static PyObject *binomial(PyObject *n, unsigned long long k)
{
    if (k == 1) return Py_NewRef(n);
    if (_PyLong_NumBits(n) <= 62) {           /* in 64 bits as long as the products fit */
        unsigned long long top = (unsigned long long)PyLong_AsLongLong(n), result = 1, product, i;
        for (i = 1; i <= k; i++) {
            if (__builtin_mul_overflow(result, top - i + 1, &product)) break;
            result = product / i;
        }
        if (i > k) return PyLong_FromUnsignedLongLong(result);
    }
    unsigned long long j = k / 2;
    PyObject *jth = NULL, *rest = NULL, *tail = NULL, *product = NULL, *kth = NULL, *bottom = NULL, *result = NULL;
    if (!(jth = binomial(n, j)) || !(rest = less(n, j)) || !(tail = binomial(rest, k - j))) goto done;
    if (!(product = PyNumber_Multiply(jth, tail))) goto done;
    if (!(kth = PyLong_FromUnsignedLongLong(k)) || !(bottom = binomial(kth, j))) goto done;
    result = PyNumber_FloorDivide(product, bottom);
done:
    Py_XDECREF(jth);
    Py_XDECREF(rest);
    Py_XDECREF(tail);
    Py_XDECREF(product);
    Py_XDECREF(kth);
    Py_XDECREF(bottom);
    return result;
}

/* k as a C number; 0 when it is too large, with that OverflowError. k >= 0. */
static bool count_of(PyObject *k, const char *name, unsigned long long *count)
{
    int overflow;
    long long value = PyLong_AsLongLongAndOverflow(k, &overflow);
    if (overflow > 0) {
        PyErr_Format(PyExc_OverflowError, "%s must not exceed %lld", name, LLONG_MAX);
        return false;
    }
    *count = (unsigned long long)value;
    return !(value == -1 && PyErr_Occurred());
}

BUILTIN(math, perm, POSITIONAL, "($module, n, k=None, /)", "Ways to pick k things out of n in order: n! / (n - k)!, or n! without k.")
{
    if (!arg[1] || arg[1] == Py_None) return math_factorial(self, arg[0]);
    PyObject *n = PyNumber_Index(arg[0]), *k = n ? PyNumber_Index(arg[1]) : NULL, *result = NULL;
    unsigned long long count;
    if (!k) goto done;
    if (_PyLong_Sign(n) < 0) {
        PyErr_SetString(PyExc_ValueError, "n must be a non-negative integer");
        goto done;
    }
    if (_PyLong_Sign(k) < 0) {
        PyErr_SetString(PyExc_ValueError, "k must be a non-negative integer");
        goto done;
    }
    int larger = PyObject_RichCompareBool(n, k, Py_LT);
    if (larger) result = larger < 0 ? NULL : PyLong_FromLong(0);
    else if (count_of(k, "k", &count)) result = count == 0 ? PyLong_FromLong(1) : falling(n, count);
done:
    Py_XDECREF(n);
    Py_XDECREF(k);
    return result;
}

BUILTIN(math, comb, POSITIONAL, "($module, n, k, /)", "Ways to pick k things out of n without order: n! / (k! * (n - k)!).")
{
    PyObject *n = PyNumber_Index(arg[0]), *k = n ? PyNumber_Index(arg[1]) : NULL, *rest = NULL, *result = NULL;
    unsigned long long count;
    if (!k) goto done;
    if (_PyLong_Sign(n) < 0) {
        PyErr_SetString(PyExc_ValueError, "n must be a non-negative integer");
        goto done;
    }
    if (_PyLong_Sign(k) < 0) {
        PyErr_SetString(PyExc_ValueError, "k must be a non-negative integer");
        goto done;
    }
    if (!(rest = PyNumber_Subtract(n, k))) goto done;
    if (_PyLong_Sign(rest) < 0) {
        result = PyLong_FromLong(0);
        goto done;
    }
    int smaller = PyObject_RichCompareBool(rest, k, Py_LT);
    if (smaller < 0) goto done;
    if (count_of(smaller ? rest : k, "min(n - k, k)", &count)) result = count == 0 ? PyLong_FromLong(1) : binomial(n, count);
done:
    Py_XDECREF(n);
    Py_XDECREF(k);
    Py_XDECREF(rest);
    return result;
}

PyMethodDef math_integer_methods[] = {
    METHOD(math, comb), METHOD(math, factorial), METHOD(math, gcd), METHOD(math, isqrt), METHOD(math, lcm), METHOD(math, perm),
    {0},
};
