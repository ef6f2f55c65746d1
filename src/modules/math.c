/* math: functions of floats, over the C library.
 *
 * A result that is not a number without an argument that is none is a ValueError, "math domain error"; an infinite one from
 * finite arguments is an OverflowError where the function can overflow, and a pole (ValueError) where it cannot. */
#include "modules/math_private.h"

#include <limits.h>
#include <string.h>

typedef struct MathState { PyObject *floor_name, *ceil_name, *trunc_name; } MathState;

static MathState *math_state(PyObject *module) { return PyModule_GetState(module); }

static COLD PyObject *domain_error(void)
{
    PyErr_SetString(PyExc_ValueError, "math domain error");
    return NULL;
}

static COLD PyObject *range_error(void)
{
    PyErr_SetString(PyExc_OverflowError, "math range error");
    return NULL;
}

/* What errno says about result: -1 with an exception, or 0. Underflow to zero is no error. */
static int check_errno(double result)
{
    if (errno == 0) return 0;
    if (errno == EDOM) domain_error();
    else if (errno == ERANGE) {
        if (fabs(result) < 1.5) return 0;
        range_error();
    }
    else PyErr_SetFromErrno(PyExc_ValueError);
    return -1;
}

#define DOUBLE_OR_NULL(x, o)                                   \
    double x = PyFloat_AsDouble(o);                            \
    if (UNLIKELY(x == -1.0) && PyErr_Occurred()) return NULL;

/* ---- functions of one number -------------------------------------------------------------------------------------------------------------- */

static PyObject *call1(PyObject *arg, double (*function)(double), bool can_overflow)
{
    DOUBLE_OR_NULL(x, arg)
    double r = function(x);
    if (UNLIKELY(isnan(r)) && !isnan(x)) return domain_error();
    if (UNLIKELY(isinf(r)) && isfinite(x)) return can_overflow ? range_error() : domain_error();
    return PyFloat_FromDouble(r);
}

#define FUNCTION1(name, can_overflow, text) \
    BUILTIN_O(math, name, "($module, x, /)", text) { return call1(arg, name, can_overflow); }

FUNCTION1(acos, false, "Arc cosine of x, in radians from 0 to pi.")
FUNCTION1(acosh, false, "Inverse hyperbolic cosine of x.")
FUNCTION1(asin, false, "Arc sine of x, in radians from -pi/2 to pi/2.")
FUNCTION1(asinh, false, "Inverse hyperbolic sine of x.")
FUNCTION1(atan, false, "Arc tangent of x, in radians from -pi/2 to pi/2.")
FUNCTION1(atanh, false, "Inverse hyperbolic tangent of x.")
FUNCTION1(cbrt, false, "Cube root of x.")
FUNCTION1(cos, false, "Cosine of x, in radians.")
FUNCTION1(cosh, true, "Hyperbolic cosine of x.")
FUNCTION1(exp, true, "e raised to x.")
FUNCTION1(exp2, true, "2 raised to x.")
FUNCTION1(expm1, true, "exp(x) - 1, without the loss of precision for small x.")
FUNCTION1(fabs, false, "Absolute value of x as a float.")
FUNCTION1(sin, false, "Sine of x, in radians.")
FUNCTION1(sinh, true, "Hyperbolic sine of x.")
FUNCTION1(sqrt, false, "Square root of x.")
FUNCTION1(tan, false, "Tangent of x, in radians.")
FUNCTION1(tanh, false, "Hyperbolic tangent of x.")

static double log1p_signed(double x) { return x == 0.0 ? x : log1p(x); }
BUILTIN_O(math, log1p, "($module, x, /)", "Natural logarithm of 1+x, without the loss of precision for small x.")
{
    return call1(arg, log1p_signed, false);
}

BUILTIN_O(math, erf, "($module, x, /)", "Error function at x.")
{
    DOUBLE_OR_NULL(x, arg)
    return PyFloat_FromDouble(erf(x));
}

BUILTIN_O(math, erfc, "($module, x, /)", "Complementary error function at x: 1 - erf(x).")
{
    DOUBLE_OR_NULL(x, arg)
    return PyFloat_FromDouble(erfc(x));
}

/* ---- gamma ---------------------------------------------------------------------------------------------------------------------------------- */

/* Lanczos' approximation with g = 6.0246..., thirteen terms (the coefficients are those Boost published). */
static const double lanczos_g = 6.024680040776729583740234375, lanczos_g_minus_half = 5.524680040776729583740234375;
static const double lanczos_top[13] = {
    23531376880.410759688572007674451636754734846804940, 42919803642.649098768957899047001988850926355848959,
    35711959237.355668049440185451547166705960488635843, 17921034426.037209699919755754458931112671403265390,
    6039542586.3520280050642916443072979210699388420708, 1439720407.3117216736632230727949123939715485786372,
    248874557.86205415651146038641322942321632125127801, 31426415.585400194380614231628318205362874684987640,
    2876370.6289353724412254090516208496135991145378768, 186056.26539522349504029498971604569928220784236328,
    8071.6720023658162106380029022722506138218516325024, 210.82427775157934587250973392071336271166969580291,
    2.5066282746310002701649081771338373386264310793408,
};
static const double lanczos_bottom[13] = {
    0.0, 39916800.0, 120543840.0, 150917976.0, 105258076.0, 45995730.0, 13339535.0, 2637558.0, 357423.0, 32670.0, 1925.0, 66.0, 1.0,
};

static double lanczos_sum(double x)
{
    double top = 0.0, bottom = 0.0;
    if (x < 5.0) {
        for (int i = 13; i--;) {
            top = top * x + lanczos_top[i];
            bottom = bottom * x + lanczos_bottom[i];
        }
    }
    else {                                    /* in 1/x, so that nothing overflows */
        for (int i = 0; i < 13; i++) {
            top = top / x + lanczos_top[i];
            bottom = bottom / x + lanczos_bottom[i];
        }
    }
    return top / bottom;
}

static const double pi = 3.141592653589793238462643383279502884197;

/* sin(pi * x) without the error of a rounded pi at multiples of it */
static double sin_pi(double x)
{
    double y = fmod(fabs(x), 2.0), r;
    switch ((int)round(2.0 * y)) {
    case 0: r = sin(pi * y); break;
    case 1: r = cos(pi * (y - 0.5)); break;
    case 2: r = sin(pi * (1.0 - y)); break;
    case 3: r = -cos(pi * (y - 1.5)); break;
    default: r = sin(pi * (y - 2.0)); break;
    }
    return copysign(1.0, x) * r;
}

static double gamma_function(double x)
{
    static const double factorials[23] = {
        1.0, 1.0, 2.0, 6.0, 24.0, 120.0, 720.0, 5040.0, 40320.0, 362880.0, 3628800.0, 39916800.0, 479001600.0, 6227020800.0,
        87178291200.0, 1307674368000.0, 20922789888000.0, 355687428096000.0, 6402373705728000.0, 121645100408832000.0,
        2432902008176640000.0, 51090942171709440000.0, 1124000727777607680000.0,
    };
    if (!isfinite(x)) {
        if (isnan(x) || x > 0.0) return x;
        errno = EDOM;
        return NAN;
    }
    if (x == 0.0) {
        errno = EDOM;
        return copysign(INFINITY, x);
    }
    if (x == floor(x)) {
        if (x < 0.0) {
            errno = EDOM;
            return NAN;
        }
        if (x <= 23.0) return factorials[(int)x - 1];
    }
    double magnitude = fabs(x);
    if (magnitude < 1e-20) {
        double r = 1.0 / x;
        if (isinf(r)) errno = ERANGE;
        return r;
    }
    if (magnitude > 200.0) {
        if (x < 0.0) return 0.0 / sin_pi(x);
        errno = ERANGE;
        return HUGE_VAL;
    }
    double y = magnitude + lanczos_g_minus_half, error, r;
    if (magnitude > lanczos_g_minus_half) error = (y - magnitude) - lanczos_g_minus_half;
    else error = (y - lanczos_g_minus_half) - magnitude;
    double correction = error * lanczos_g / y;
    if (x < 0.0) {                            /* by reflection */
        r = -pi / sin_pi(magnitude) / magnitude * exp(y) / lanczos_sum(magnitude);
        r -= correction * r;
        if (magnitude < 140.0) r /= pow(y, magnitude - 0.5);
        else {
            double root = pow(y, magnitude / 2.0 - 0.25);
            r /= root;
            r /= root;
        }
    }
    else {
        r = lanczos_sum(magnitude) / exp(y);
        r += correction * r;
        if (magnitude < 140.0) r *= pow(y, magnitude - 0.5);
        else {
            double root = pow(y, magnitude / 2.0 - 0.25);
            r *= root;
            r *= root;
        }
    }
    if (isinf(r)) errno = ERANGE;
    return r;
}

static double log_gamma(double x)
{
    if (!isfinite(x)) return isnan(x) ? x : HUGE_VAL;
    if (x == floor(x) && x <= 2.0) {
        if (x > 0.0) return 0.0;
        errno = EDOM;
        return HUGE_VAL;
    }
    double magnitude = fabs(x);
    if (magnitude < 1e-20) return -log(magnitude);
    double r = log(lanczos_sum(magnitude)) - lanczos_g;
    r += (magnitude - 0.5) * (log(magnitude + lanczos_g - 0.5) - 1);
    if (x < 0.0) r = 1.144729885849400174143427351353058711647 - log(fabs(sin_pi(magnitude))) - log(magnitude) - r;
    if (isinf(r)) errno = ERANGE;
    return r;
}

static PyObject *call1_errno(PyObject *arg, double (*function)(double))
{
    DOUBLE_OR_NULL(x, arg)
    errno = 0;
    double r = function(x);
    return check_errno(r) < 0 ? NULL : PyFloat_FromDouble(r);
}

BUILTIN_O(math, gamma, "($module, x, /)", "Gamma function at x.") { return call1_errno(arg, gamma_function); }
BUILTIN_O(math, lgamma, "($module, x, /)", "Natural logarithm of the absolute value of the gamma function at x.")
{
    return call1_errno(arg, log_gamma);
}

/* ---- functions of two numbers ------------------------------------------------------------------------------------------------------------- */

static PyObject *call2(PyObject *const *arg, double (*function)(double, double))
{
    DOUBLE_OR_NULL(x, arg[0])
    DOUBLE_OR_NULL(y, arg[1])
    double r = function(x, y);
    if (UNLIKELY(isnan(r)) && !isnan(x) && !isnan(y)) return domain_error();
    if (UNLIKELY(isinf(r)) && isfinite(x) && isfinite(y)) return range_error();
    return PyFloat_FromDouble(r);
}

BUILTIN(math, atan2, POSITIONAL, "($module, y, x, /)", "Arc tangent of y/x, in radians from -pi to pi; the signs say the quadrant.")
{
    return call2(arg, atan2);
}

BUILTIN(math, copysign, POSITIONAL, "($module, x, y, /)", "A float with the size of x and the sign of y.\n\n>>> copysign(1.0, -0.0)\n-1.0")
{
    return call2(arg, copysign);
}

/* The C library's loses the sign of a zero when y is tiny. */
static double nearest_remainder(double x, double y)
{
    if (isfinite(x) && isfinite(y)) {
        if (y == 0.0) return NAN;
        double absx = fabs(x), absy = fabs(y), m = fmod(absx, absy), c = absy - m, r;
        if (m < c) r = m;
        else if (m > c) r = -c;
        else r = m - 2.0 * fmod(0.5 * (absx - m), absy);     /* half way: to the even quotient */
        return copysign(1.0, x) * r;
    }
    if (isnan(x)) return x;
    if (isnan(y)) return y;
    return isinf(x) ? NAN : x;
}

BUILTIN(math, remainder, POSITIONAL, "($module, x, y, /)",
    "x - n*y for the integer n nearest to x/y, of two the even one: the IEEE 754 remainder.")
{
    return call2(arg, nearest_remainder);
}

BUILTIN(math, fmod, POSITIONAL, "($module, x, y, /)", "The remainder of x/y as C has it: with the sign of x.")
{
    DOUBLE_OR_NULL(x, arg[0])
    DOUBLE_OR_NULL(y, arg[1])
    if (isinf(y) && isfinite(x)) return PyFloat_FromDouble(x);
    double r = fmod(x, y);
    if (isnan(r) && !isnan(x) && !isnan(y)) return domain_error();
    return PyFloat_FromDouble(r);
}

BUILTIN(math, pow, POSITIONAL, "($module, x, y, /)", "x raised to y, as floats.")
{
    DOUBLE_OR_NULL(x, arg[0])
    DOUBLE_OR_NULL(y, arg[1])
    double r = pow(x, y);                     /* glibc follows Annex F in the cases that are not finite */
    if (UNLIKELY(!isfinite(r)) && isfinite(x) && isfinite(y)) {
        if (isnan(r) || x == 0.0) return domain_error();
        return range_error();
    }
    return PyFloat_FromDouble(r);
}

BUILTIN(math, fma, POSITIONAL, "($module, x, y, z, /)", "x * y + z, rounded once.")
{
    DOUBLE_OR_NULL(x, arg[0])
    DOUBLE_OR_NULL(y, arg[1])
    DOUBLE_OR_NULL(z, arg[2])
    double r = fma(x, y, z);
    if (LIKELY(isfinite(r))) return PyFloat_FromDouble(r);
    if (isnan(r)) {
        if (!isnan(x) && !isnan(y) && !isnan(z)) {
            PyErr_SetString(PyExc_ValueError, "invalid operation in fma");
            return NULL;
        }
    }
    else if (isfinite(x) && isfinite(y) && isfinite(z)) {
        PyErr_SetString(PyExc_OverflowError, "overflow in fma");
        return NULL;
    }
    return PyFloat_FromDouble(r);
}

BUILTIN(math, ldexp, POSITIONAL, "($module, x, i, /)", "x * (2**i), the inverse of frexp().")
{
    DOUBLE_OR_NULL(x, arg[0])
    if (!PyLong_Check(arg[1])) {
        PyErr_SetString(PyExc_TypeError, "Expected an int as second argument to ldexp.");
        return NULL;
    }
    int overflow;
    long exponent = PyLong_AsLongAndOverflow(arg[1], &overflow);
    if (exponent == -1 && PyErr_Occurred()) return NULL;
    if (overflow) exponent = overflow < 0 ? LONG_MIN : LONG_MAX;
    if (x == 0.0 || !isfinite(x)) return PyFloat_FromDouble(x);
    if (exponent > INT_MAX) return range_error();
    if (exponent < INT_MIN) return PyFloat_FromDouble(copysign(0.0, x));
    double r = ldexp(x, (int)exponent);
    return isinf(r) ? range_error() : PyFloat_FromDouble(r);
}

BUILTIN_O(math, frexp, "($module, x, /)", "(m, e) with x == m * 2.0**e and 0.5 <= abs(m) < 1.0; (0.0, 0) for 0.")
{
    DOUBLE_OR_NULL(x, arg)
    int exponent = 0;
    if (x != 0.0 && isfinite(x)) x = frexp(x, &exponent);
    return Py_BuildValue("(di)", x, exponent);
}

BUILTIN_O(math, modf, "($module, x, /)", "Fraction and whole part of x, both floats with its sign.")
{
    DOUBLE_OR_NULL(x, arg)
    double whole, fraction;
    if (isinf(x)) return Py_BuildValue("(dd)", copysign(0.0, x), x);
    if (isnan(x)) return Py_BuildValue("(dd)", x, x);
    fraction = modf(x, &whole);
    return Py_BuildValue("(dd)", fraction, whole);
}

/* ---- logarithms ------------------------------------------------------------------------------------------------------------------------------ */

PyAPI_FUNC(double) _PyLong_Frexp(PyLongObject *a, Py_ssize_t *e);

static PyObject *logarithm(PyObject *arg, double (*function)(double))
{
    if (!PyLong_Check(arg)) {
        DOUBLE_OR_NULL(x, arg)
        if (x <= 0.0) return domain_error();
        return PyFloat_FromDouble(function(x));
    }
    if (_PyLong_Sign(arg) <= 0) return domain_error();
    double x = PyLong_AsDouble(arg);
    if (x != -1.0 || !PyErr_Occurred()) return PyFloat_FromDouble(function(x));
    if (!PyErr_ExceptionMatches(PyExc_OverflowError)) return NULL;
    PyErr_Clear();                            /* too large for a float, but its logarithm is not */
    Py_ssize_t exponent;
    x = _PyLong_Frexp((PyLongObject *)arg, &exponent);
    return PyFloat_FromDouble(function(x) + function(2.0) * (double)exponent);
}

static const char math_log_doc[] = "log(x, [base=math.e])\nThe logarithm of x, to the given base or e.";

static PyObject *math_log(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs)
{
    if (nargs < 1 || nargs > 2) {
        PyErr_Format(PyExc_TypeError, "log expected at %s argument%s, got %zd", nargs < 1 ? "least 1" : "most 2", nargs < 1 ? "" : "s", nargs);
        return NULL;
    }
    PyObject *top = logarithm(args[0], log);
    if (!top || nargs == 1) return top;
    PyObject *bottom = logarithm(args[1], log), *result = bottom ? PyNumber_TrueDivide(top, bottom) : NULL;
    Py_DECREF(top);
    Py_XDECREF(bottom);
    return result;
}

BUILTIN_O(math, log2, "($module, x, /)", "Logarithm of x to base 2.") { return logarithm(arg, log2); }
BUILTIN_O(math, log10, "($module, x, /)", "Logarithm of x to base 10.") { return logarithm(arg, log10); }

/* ---- to integers -------------------------------------------------------------------------------------------------------------------------------- */

/* The result of the method that o's type has under name. NULL without exception: it has none. */
static PyObject *call_special(PyObject *o, PyObject *name)
{
    PyObject *found = _PyType_Lookup(Py_TYPE(o), name);
    if (!found) return NULL;
    descrgetfunc get = Py_TYPE(found)->tp_descr_get;
    PyObject *method = get ? get(found, o, (PyObject *)Py_TYPE(o)) : Py_NewRef(found);
    if (!method) return NULL;
    PyObject *result = PyObject_CallNoArgs(method);
    Py_DECREF(method);
    return result;
}

BUILTIN_O(math, floor, "($module, x, /)", "The largest integer that is not above x.")
{
    if (!PyFloat_CheckExact(arg)) {
        PyObject *result = call_special(arg, math_state(self)->floor_name);
        if (result || PyErr_Occurred()) return result;
    }
    DOUBLE_OR_NULL(x, arg)
    return PyLong_FromDouble(floor(x));
}

BUILTIN_O(math, ceil, "($module, x, /)", "The smallest integer that is not below x.")
{
    if (!PyFloat_CheckExact(arg)) {
        PyObject *result = call_special(arg, math_state(self)->ceil_name);
        if (result || PyErr_Occurred()) return result;
    }
    DOUBLE_OR_NULL(x, arg)
    return PyLong_FromDouble(ceil(x));
}

BUILTIN_O(math, trunc, "($module, x, /)", "x without its fraction, by its __trunc__ method.")
{
    if (PyFloat_CheckExact(arg)) return PyLong_FromDouble(PyFloat_AS_DOUBLE(arg));
    PyObject *result = call_special(arg, math_state(self)->trunc_name);
    if (!result && !PyErr_Occurred()) PyErr_Format(PyExc_TypeError, "type %.100s doesn't define __trunc__ method", Py_TYPE(arg)->tp_name);
    return result;
}

/* ---- angles, tests, neighbours ------------------------------------------------------------------------------------------------------------- */

BUILTIN_O(math, degrees, "($module, x, /)", "The angle x, in radians, in degrees.")
{
    DOUBLE_OR_NULL(x, arg)
    return PyFloat_FromDouble(x * (180.0 / pi));
}

BUILTIN_O(math, radians, "($module, x, /)", "The angle x, in degrees, in radians.")
{
    DOUBLE_OR_NULL(x, arg)
    return PyFloat_FromDouble(x * (pi / 180.0));
}

BUILTIN_O(math, isfinite, "($module, x, /)", "Whether x is neither infinite nor a nan.")
{
    DOUBLE_OR_NULL(x, arg)
    return PyBool_FromLong(isfinite(x));
}

BUILTIN_O(math, isnan, "($module, x, /)", "Whether x is a nan.")
{
    DOUBLE_OR_NULL(x, arg)
    return PyBool_FromLong(isnan(x));
}

BUILTIN_O(math, isinf, "($module, x, /)", "Whether x is infinite, of either sign.")
{
    DOUBLE_OR_NULL(x, arg)
    return PyBool_FromLong(isinf(x) != 0);
}

BUILTIN(math, isclose, KEYWORDS, "($module, /, a, b, *, rel_tol=1e-09, abs_tol=0.0)",
    "Whether a and b differ by no more than a tolerance.\n\n  rel_tol\n    largest difference relative to the larger of the two\n"
    "  abs_tol\n    largest difference, whatever their size\n\nOne tolerance met suffices. A nan is close to nothing, an infinity to itself.")
{
    DOUBLE_OR_NULL(a, arg[0])
    DOUBLE_OR_NULL(b, arg[1])
    double relative = 1e-09, absolute = 0.0;
    if (arg[2] && (relative = PyFloat_AsDouble(arg[2])) == -1.0 && PyErr_Occurred()) return NULL;
    if (arg[3] && (absolute = PyFloat_AsDouble(arg[3])) == -1.0 && PyErr_Occurred()) return NULL;
    if (relative < 0.0 || absolute < 0.0) {
        PyErr_SetString(PyExc_ValueError, "tolerances must be non-negative");
        return NULL;
    }
    if (a == b) Py_RETURN_TRUE;
    if (isinf(a) || isinf(b)) Py_RETURN_FALSE;
    double difference = fabs(b - a);
    return PyBool_FromLong(difference <= fabs(relative * b) || difference <= fabs(relative * a) || difference <= absolute);
}

/* The bits of a float as a number that grows with it. */
static uint64_t magnitude_bits(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits & ~((uint64_t)1 << 63);
}

static double from_bits(uint64_t bits, bool negative)
{
    double x;
    bits |= (uint64_t)negative << 63;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static double step_towards(double x, double y, uint64_t steps)
{
    if (steps == 0 || isnan(x)) return x;
    if (isnan(y)) return y;
    if (x == y) return y;
    bool negative = signbit(x), other = signbit(y);
    uint64_t from = magnitude_bits(x), to = magnitude_bits(y);
    if (negative != other) {                  /* through zero */
        if (from + to <= steps) return y;
        if (from < steps) return from_bits(steps - from, other);
        return from_bits(from - steps, negative);
    }
    if (from > to) return from - to >= steps ? from_bits(from - steps, negative) : y;
    return to - from >= steps ? from_bits(from + steps, negative) : y;
}

BUILTIN(math, nextafter, KEYWORDS, "($module, x, y, /, *, steps=None)",
    "The float that many steps after x towards y; one step when steps is not given. Never beyond y.")
{
    DOUBLE_OR_NULL(x, arg[0])
    DOUBLE_OR_NULL(y, arg[1])
    if (!arg[2] || arg[2] == Py_None) return PyFloat_FromDouble(nextafter(x, y));
    PyObject *steps = PyNumber_Index(arg[2]);
    if (!steps) return NULL;
    if (_PyLong_Sign(steps) < 0) {
        Py_DECREF(steps);
        PyErr_SetString(PyExc_ValueError, "steps must be a non-negative integer");
        return NULL;
    }
    unsigned long long n = PyLong_AsUnsignedLongLong(steps);
    Py_DECREF(steps);
    if (n == (unsigned long long)-1 && PyErr_Occurred()) {
        if (!PyErr_ExceptionMatches(PyExc_OverflowError)) return NULL;
        PyErr_Clear();                        /* more steps than there are floats */
    }
    return PyFloat_FromDouble(step_towards(x, y, n));
}

BUILTIN_O(math, ulp, "($module, x, /)", "The value of the least significant bit of the float x.")
{
    DOUBLE_OR_NULL(x, arg)
    if (isnan(x)) return PyFloat_FromDouble(x);
    x = fabs(x);
    if (isinf(x)) return PyFloat_FromDouble(x);
    double next = nextafter(x, INFINITY);
    if (isinf(next)) return PyFloat_FromDouble(x - nextafter(x, -INFINITY));
    return PyFloat_FromDouble(next - x);
}

/* ---- module ------------------------------------------------------------------------------------------------------------------------------------------ */

static PyMethodDef math_methods[] = {
    METHOD(math, acos), METHOD(math, acosh), METHOD(math, asin), METHOD(math, asinh), METHOD(math, atan), METHOD(math, atan2),
    METHOD(math, atanh), METHOD(math, cbrt), METHOD(math, ceil), METHOD(math, copysign), METHOD(math, cos), METHOD(math, cosh),
    METHOD(math, degrees), METHOD(math, erf), METHOD(math, erfc), METHOD(math, exp), METHOD(math, exp2), METHOD(math, expm1),
    METHOD(math, fabs), METHOD(math, floor), METHOD(math, fma), METHOD(math, fmod), METHOD(math, frexp), METHOD(math, gamma),
    METHOD(math, isclose), METHOD(math, isfinite), METHOD(math, isinf), METHOD(math, isnan), METHOD(math, ldexp),
    METHOD(math, lgamma), { "log", (PyCFunction)(void (*)(void))math_log, METH_FASTCALL, math_log_doc }, METHOD(math, log10),
    METHOD(math, log1p), METHOD(math, log2), METHOD(math, modf), METHOD(math, nextafter), METHOD(math, pow), METHOD(math, radians),
    METHOD(math, remainder), METHOD(math, sin), METHOD(math, sinh), METHOD(math, sqrt), METHOD(math, tan), METHOD(math, tanh),
    METHOD(math, trunc), METHOD(math, ulp),
    {0},
};

static int math_exec(PyObject *module)
{
    MathState *state = math_state(module);
    if (!(state->floor_name = PyUnicode_InternFromString("__floor__")) || !(state->ceil_name = PyUnicode_InternFromString("__ceil__")) ||
        !(state->trunc_name = PyUnicode_InternFromString("__trunc__")))
        return -1;
    if (PyModule_AddFunctions(module, math_integer_methods) < 0 || PyModule_AddFunctions(module, math_sum_methods) < 0) return -1;
    if (PyModule_Add(module, "pi", PyFloat_FromDouble(pi)) < 0) return -1;
    if (PyModule_Add(module, "e", PyFloat_FromDouble(2.7182818284590452354)) < 0) return -1;
    if (PyModule_Add(module, "tau", PyFloat_FromDouble(2 * pi)) < 0) return -1;
    if (PyModule_Add(module, "inf", PyFloat_FromDouble(INFINITY)) < 0) return -1;
    return PyModule_Add(module, "nan", PyFloat_FromDouble(fabs(NAN)));
}

static int math_clear(PyObject *module)
{
    MathState *state = math_state(module);
    Py_CLEAR(state->floor_name);
    Py_CLEAR(state->ceil_name);
    Py_CLEAR(state->trunc_name);
    return 0;
}

static void math_free(void *module) { math_clear(module); }

static PyModuleDef_Slot math_slots[] = {
    { Py_mod_exec, math_exec },
    { Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED },
    { Py_mod_gil, Py_MOD_GIL_NOT_USED },
    {0},
};

static PyModuleDef math_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "math",
    .m_doc = "Mathematical functions of real numbers.",
    .m_size = sizeof(MathState),
    .m_methods = math_methods,
    .m_slots = math_slots,
    .m_clear = math_clear,
    .m_free = math_free,
};

PyMODINIT_FUNC PyInit_math(void) { return PyModuleDef_Init(&math_module); }
