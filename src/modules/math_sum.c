/* math: sums, products and norms of many numbers. */
#include "modules/math_private.h"

#include <stdlib.h>
#include <string.h>

/* ---- fsum ------------------------------------------------------------------------------------------------------------------------------------- */

/* Partial sums that do not overlap, in increasing size (J. Shewchuk): together they are the exact sum so far. */
typedef struct Partials {
    double *at, local[32];
    Py_ssize_t count, room;
} Partials;

static int partials_push(Partials *p, double x)
{
    if (p->count == p->room) {
        bool on_stack = p->at == p->local;
        double *larger = PyMem_Realloc(on_stack ? NULL : p->at, (size_t)p->room * 2 * sizeof(double));
        if (!larger) {
            PyErr_SetString(PyExc_MemoryError, "math.fsum partials");
            return -1;
        }
        if (on_stack) memcpy(larger, p->local, sizeof p->local);
        p->at = larger;
        p->room *= 2;
    }
    p->at[p->count++] = x;
    return 0;
}

/* Adds x exactly; returns what is left of it to be pushed. */
static double partials_add(Partials *p, double x)
{
    Py_ssize_t kept = 0;
    for (Py_ssize_t j = 0; j < p->count; j++) {
        double y = p->at[j];
        Pair sum = fabs(x) < fabs(y) ? pair_sum_ordered(y, x) : pair_sum_ordered(x, y);
        if (sum.low != 0.0) p->at[kept++] = sum.low;
        x = sum.high;
    }
    p->count = kept;
    return x;
}

/* The partials' sum rounded once: the largest ones until something is lost, with the half-way case decided by the rest. */
static double partials_round(const Partials *p)
{
    Py_ssize_t n = p->count;
    if (n == 0) return 0.0;
    double high = p->at[--n], low = 0.0;
    while (n > 0) {
        Pair sum = pair_sum_ordered(high, p->at[--n]);
        high = sum.high;
        low = sum.low;
        if (low != 0.0) break;
    }
    if (n > 0 && ((low < 0.0 && p->at[n - 1] < 0.0) || (low > 0.0 && p->at[n - 1] > 0.0))) {
        double y = low * 2.0, x = high + y;
        if (y == x - high) high = x;
    }
    return high;
}

BUILTIN_O(math, fsum, "($module, seq, /)", "The sum of the numbers, rounded once at the end.")
{
    Partials p = { .count = 0, .room = ARRAY_LENGTH(p.local) };
    p.at = p.local;
    double infinite_sum = 0.0, special = 0.0;
    PyObject *result = NULL, *item, *it = PyObject_GetIter(arg);
    if (!it) return NULL;
    while ((item = PyIter_Next(it))) {
        double x = PyFloat_AsDouble(item);
        Py_DECREF(item);
        if (x == -1.0 && PyErr_Occurred()) goto done;
        double original = x;
        x = partials_add(&p, x);
        if (x == 0.0) continue;
        if (!isfinite(x)) {
            if (isfinite(original)) {
                PyErr_SetString(PyExc_OverflowError, "intermediate overflow in fsum");
                goto done;
            }
            if (isinf(original)) infinite_sum += original;
            special += original;
            p.count = 0;
        }
        else if (partials_push(&p, x) < 0) goto done;
    }
    if (PyErr_Occurred()) goto done;
    if (special != 0.0 || isnan(special)) {
        if (isnan(infinite_sum)) PyErr_SetString(PyExc_ValueError, "-inf + inf in fsum");
        else result = PyFloat_FromDouble(special);
        goto done;
    }
    result = PyFloat_FromDouble(partials_round(&p));
done:
    Py_DECREF(it);
    if (p.at != p.local) PyMem_Free(p.at);
    return result;
}

/* ---- sumprod ---------------------------------------------------------------------------------------------------------------------------------- */

/* A sum kept in three doubles (Ogita, Rump, Oishi). */
typedef struct Triple { double high, low, tiny; } Triple;

static Triple triple_add_product(double x, double y, Triple total)
{
    Pair product = pair_product(x, y), high = pair_sum(total.high, product.high), low = pair_sum(total.low, product.low);
    Pair middle = pair_sum(low.high, high.low);
    return (Triple){ high.high, middle.high, total.tiny + low.low + middle.low };
}

static double triple_value(Triple total)
{
    Pair last = pair_sum(total.low, total.high);
    return total.tiny + last.low + last.high;
}

/* *total += term; steals term, which may be NULL (-1 then). */
static int add_to(PyObject **total, PyObject *term)
{
    if (!term) return -1;
    PyObject *sum = PyNumber_Add(*total, term);
    Py_DECREF(term);
    if (!sum) return -1;
    Py_SETREF(*total, sum);
    return 0;
}

static bool is_int_or_bool(PyObject *o) { return PyLong_CheckExact(o) || PyBool_Check(o); }

/* p * q as doubles when both are floats, or one and the other an int that fits. */
static bool both_doubles(PyObject *p, PyObject *q, double *x, double *y)
{
    bool p_float = PyFloat_CheckExact(p), q_float = PyFloat_CheckExact(q);
    if (p_float) *x = PyFloat_AS_DOUBLE(p);
    if (q_float) *y = PyFloat_AS_DOUBLE(q);
    if (p_float && q_float) return true;
    if (p_float && is_int_or_bool(q)) *y = PyLong_AsDouble(q);
    else if (q_float && is_int_or_bool(p)) *x = PyLong_AsDouble(p);
    else return false;
    if ((p_float ? *y : *x) == -1.0 && PyErr_Occurred()) {
        PyErr_Clear();
        return false;
    }
    return true;
}

BUILTIN(math, sumprod, POSITIONAL, "($module, p, q, /)",
    "The sum of the products of the items of p and q, pair by pair; with floats, nearly as if rounded once.")
{
    PyObject *p_iter = PyObject_GetIter(arg[0]), *q_iter = p_iter ? PyObject_GetIter(arg[1]) : NULL, *result = NULL;
    PyObject *p = NULL, *q = NULL, *total = q_iter ? PyLong_FromLong(0) : NULL;
    bool ints = true, int_used = false, floats = true, float_used = false;
    long int_total = 0;
    Triple float_total = { 0.0, 0.0, 0.0 };
    if (!total) goto done;
    for (;;) {
        p = PyIter_Next(p_iter);
        if (!p && PyErr_Occurred()) goto done;
        q = PyIter_Next(q_iter);
        if (!q && PyErr_Occurred()) goto done;
        if (!p != !q) {
            PyErr_SetString(PyExc_ValueError, "Inputs are not the same length");
            goto done;
        }
        bool finished = !p;
        if (ints) {
            if (!finished && PyLong_CheckExact(p) && PyLong_CheckExact(q)) {
                int overflow_p, overflow_q;
                long x = PyLong_AsLongAndOverflow(p, &overflow_p), y = PyLong_AsLongAndOverflow(q, &overflow_q), product, sum;
                if (!overflow_p && !overflow_q && !__builtin_mul_overflow(x, y, &product) && !__builtin_add_overflow(int_total, product, &sum)) {
                    int_total = sum;
                    int_used = true;
                    Py_CLEAR(p);
                    Py_CLEAR(q);
                    continue;
                }
            }
            ints = false;                     /* finished, overflowed, or other types */
            if (int_used && add_to(&total, PyLong_FromLong(int_total)) < 0) goto done;
        }
        if (floats) {
            double x, y;
            if (!finished && both_doubles(p, q, &x, &y)) {
                Triple sum = triple_add_product(x, y, float_total);
                if (isfinite(sum.high)) {
                    float_total = sum;
                    float_used = true;
                    Py_CLEAR(p);
                    Py_CLEAR(q);
                    continue;
                }
            }
            floats = false;
            if (float_used && add_to(&total, PyFloat_FromDouble(triple_value(float_total))) < 0) goto done;
        }
        if (finished) {
            result = Py_NewRef(total);
            break;
        }
        if (add_to(&total, PyNumber_Multiply(p, q)) < 0) goto done;
        Py_CLEAR(p);
        Py_CLEAR(q);
    }
done:
    Py_XDECREF(p);
    Py_XDECREF(q);
    Py_XDECREF(p_iter);
    Py_XDECREF(q_iter);
    Py_XDECREF(total);
    return result;
}

/* ---- prod --------------------------------------------------------------------------------------------------------------------------------------- */

BUILTIN(math, prod, KEYWORDS, "($module, iterable, /, *, start=1)", "The product of start and the items; start when there are none.")
{
    PyObject *it = PyObject_GetIter(arg[0]), *item = NULL;
    if (!it) return NULL;
    PyObject *result = arg[1] ? Py_NewRef(arg[1]) : PyLong_FromLong(1);
    if (result && PyLong_CheckExact(result)) {               /* in a C long while it fits */
        int overflow;
        long product = PyLong_AsLongAndOverflow(result, &overflow);
        while (!overflow) {
            if (!(item = PyIter_Next(it))) break;
            long x, next;
            if (!PyLong_CheckExact(item) || ((x = PyLong_AsLongAndOverflow(item, &overflow)), overflow) ||
                __builtin_mul_overflow(product, x, &next))
                break;
            product = next;
            Py_CLEAR(item);
        }
        Py_SETREF(result, overflow && !item ? Py_NewRef(result) : PyLong_FromLong(product));
        if (!item && !overflow) goto done;
    }
    for (; result; item = NULL) {
        if (!item && !(item = PyIter_Next(it))) break;
        if (PyFloat_CheckExact(result) && PyFloat_CheckExact(item)) {
            double product = PyFloat_AS_DOUBLE(result) * PyFloat_AS_DOUBLE(item);
            Py_SETREF(result, PyFloat_FromDouble(product));
        }
        else Py_SETREF(result, PyNumber_Multiply(result, item));
        Py_DECREF(item);
    }
done:
    Py_XDECREF(item);
    Py_DECREF(it);
    if (PyErr_Occurred()) Py_CLEAR(result);
    return result;
}

/* ---- norms --------------------------------------------------------------------------------------------------------------------------------------- */

enum { NORM_STACK = 20 };

/* The Euclidean norm: coordinates are scaled by a power of two, squared and summed without loss, and the root is corrected
 * by one step of Newton's method on the exact residue. max is the largest; all are >= 0. Overwrites vector. */
static double vector_norm(Py_ssize_t n, double *vector, double max, bool found_nan)
{
    if (isinf(max)) return max;
    if (found_nan) return NAN;
    if (max == 0.0 || n <= 1) return max;
    int exponent;
    frexp(max, &exponent);
    if (exponent < -1023) {                   /* 2 ** -exponent would overflow: make them normal first */
        for (Py_ssize_t i = 0; i < n; i++) vector[i] /= DBL_MIN;
        return DBL_MIN * vector_norm(n, vector, max / DBL_MIN, found_nan);
    }
    double scale = ldexp(1.0, -exponent), sum = 1.0, products_low = 0.0, sums_low = 0.0;
    for (Py_ssize_t i = 0; i < n; i++) {
        double x = vector[i] * scale;
        Pair square = pair_product(x, x), next = pair_sum_ordered(sum, square.high);
        sum = next.high;
        products_low += square.low;
        sums_low += next.low;
    }
    double root = sqrt(sum - 1.0 + (products_low + sums_low));
    Pair square = pair_product(-root, root), next = pair_sum_ordered(sum, square.high);
    sum = next.high;
    products_low += square.low;
    sums_low += next.low;
    root += (sum - 1.0 + (products_low + sums_low)) / (2.0 * root);
    return root / scale;
}

static const char math_hypot_doc[] =
    "hypot(*coordinates) -> value\n\nThe distance of a point from the origin: the square root of the sum of the squares.\n\n>>> hypot(3.0, 4.0)\n5.0";

static PyObject *math_hypot(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs)
{
    double stack[NORM_STACK], *vector = stack, max = 0.0;
    bool found_nan = false;
    PyObject *result = NULL;
    if (nargs > NORM_STACK && !(vector = PyMem_Malloc((size_t)nargs * sizeof(double)))) return PyErr_NoMemory();
    for (Py_ssize_t i = 0; i < nargs; i++) {
        double x = PyFloat_AsDouble(args[i]);
        if (x == -1.0 && PyErr_Occurred()) goto done;
        vector[i] = x = fabs(x);
        found_nan |= isnan(x) != 0;
        if (x > max) max = x;
    }
    result = PyFloat_FromDouble(vector_norm(nargs, vector, max, found_nan));
done:
    if (vector != stack) PyMem_Free(vector);
    return result;
}

BUILTIN(math, dist, POSITIONAL, "($module, p, q, /)", "The distance between two points, each a sequence of coordinates.")
{
    double stack[NORM_STACK], *vector = stack, max = 0.0;
    bool found_nan = false;
    PyObject *p = PyTuple_Check(arg[0]) ? Py_NewRef(arg[0]) : PySequence_Tuple(arg[0]), *result = NULL;
    PyObject *q = !p ? NULL : PyTuple_Check(arg[1]) ? Py_NewRef(arg[1]) : PySequence_Tuple(arg[1]);
    if (!q) goto done;
    Py_ssize_t n = PyTuple_GET_SIZE(p);
    if (n != PyTuple_GET_SIZE(q)) {
        PyErr_SetString(PyExc_ValueError, "both points must have the same number of dimensions");
        goto done;
    }
    if (n > NORM_STACK && !(vector = PyMem_Malloc((size_t)n * sizeof(double)))) {
        PyErr_NoMemory();
        goto done;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        double x = PyFloat_AsDouble(PyTuple_GET_ITEM(p, i));
        if (x == -1.0 && PyErr_Occurred()) goto done;
        double y = PyFloat_AsDouble(PyTuple_GET_ITEM(q, i));
        if (y == -1.0 && PyErr_Occurred()) goto done;
        vector[i] = x = fabs(x - y);
        found_nan |= isnan(x) != 0;
        if (x > max) max = x;
    }
    result = PyFloat_FromDouble(vector_norm(n, vector, max, found_nan));
done:
    if (vector != stack) PyMem_Free(vector);
    Py_XDECREF(p);
    Py_XDECREF(q);
    return result;
}

PyMethodDef math_sum_methods[] = {
    METHOD(math, dist), METHOD(math, fsum), { "hypot", (PyCFunction)(void (*)(void))math_hypot, METH_FASTCALL, math_hypot_doc },
    METHOD(math, prod), METHOD(math, sumprod),
    {0},
};
