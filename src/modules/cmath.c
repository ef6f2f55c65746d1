/* cmath: functions of complex numbers.
 *
 * The formulas for finite arguments are those of W. Kahan ("Branch cuts for complex elementary functions") and Hull et al.,
 * scaled where intermediate results would overflow. Arguments that are not finite are what C99's Annex G says, which is the
 * C library's business; the few values that it leaves open are set here. errno says what to raise: EDOM, ERANGE. */
#include "capi/args.h"

#include <complex.h>
#include <errno.h>
#include <float.h>
#include <math.h>

#define LARGE (DBL_MAX / 4.0)
#define SQRT_LARGE 6.703903964971298e+153     /* sqrt(LARGE) */
#define LOG_LARGE 708.3964185322641           /* log(LARGE) */
#define SQRT_SMALLEST 1.4916681462400413e-154 /* sqrt(DBL_MIN) */
#define PI 3.14159265358979323846
#define E 2.7182818284590452354
#define LN2 0.6931471805599453094
#define LN10 2.302585092994045684

#undef I
typedef Py_complex C;
typedef C Function(C);

static bool finite_c(C z) { return isfinite(z.real) && isfinite(z.imag); }
static C make(double real, double imag) { return (C){ real, imag }; }
static C negated(C z) { return make(-z.real, -z.imag); }
static bool is_large(C z) { return fabs(z.real) > LARGE || fabs(z.imag) > LARGE; }

/* What the C library says, for arguments that are not finite. */
static C library(double complex (*function)(double complex), C z)
{
    double _Complex argument, r;
    __real__ argument = isnan(z.real) ? fabs(z.real) : z.real;         /* the sign of a nan must not matter */
    __imag__ argument = isnan(z.imag) ? fabs(z.imag) : z.imag;
    r = function(argument);
    errno = 0;
    return make(creal(r), cimag(r));
}

static C overflow_checked(C r)
{
    errno = isinf(r.real) || isinf(r.imag) ? ERANGE : 0;
    return r;
}

/* ---- roots and logarithms ------------------------------------------------------------------------------------------------------------------ */

static C c_sqrt(C z)
{
    if (!finite_c(z)) return library(csqrt, z);
    errno = 0;
    double ax = fabs(z.real), ay = fabs(z.imag), s;
    if (ax == 0.0 && ay == 0.0) return make(0.0, z.imag);
    if (ax < DBL_MIN && ay < DBL_MIN) {
        ax = ldexp(ax, 53);
        s = ldexp(sqrt(ax + hypot(ax, ldexp(ay, 53))), -27);
    }
    else {
        ax /= 8.0;
        s = 2.0 * sqrt(ax + hypot(ax, ay / 8.0));
    }
    double d = ay / (2.0 * s);
    return z.real >= 0.0 ? make(s, copysign(d, z.imag)) : make(d, copysign(s, z.imag));
}

static C c_log(C z)
{
    if (!finite_c(z)) return library(clog, z);
    double ax = fabs(z.real), ay = fabs(z.imag), real;
    errno = 0;
    if (is_large(z)) real = log(hypot(ax / 2.0, ay / 2.0)) + LN2;
    else if (ax < DBL_MIN && ay < DBL_MIN) {
        if (ax == 0.0 && ay == 0.0) {
            errno = EDOM;
            return make(-INFINITY, atan2(z.imag, z.real));
        }
        real = log(hypot(ldexp(ax, DBL_MANT_DIG), ldexp(ay, DBL_MANT_DIG))) - DBL_MANT_DIG * LN2;
    }
    else {
        double h = hypot(ax, ay);
        if (0.71 <= h && h <= 1.73) {         /* near 1: the logarithm of what is above it */
            double larger = ax > ay ? ax : ay, smaller = ax > ay ? ay : ax;
            real = log1p((larger - 1) * (larger + 1) + smaller * smaller) / 2.0;
        }
        else real = log(h);
    }
    double imag = atan2(z.imag, z.real);
    errno = 0;
    return make(real, imag);
}

static C c_log10(C z)
{
    C r = c_log(z);
    return make(r.real / LN10, r.imag / LN10);
}

/* ---- hyperbolic and trigonometric ------------------------------------------------------------------------------------------------------------ */

static C c_exp(C z)
{
    C r;
    if (!finite_c(z)) {
        if (isinf(z.real) && isfinite(z.imag) && z.imag != 0.0) {
            double size = z.real > 0 ? INFINITY : 0.0;
            r = make(copysign(size, cos(z.imag)), copysign(size, sin(z.imag)));
        }
        else if (isinf(z.real) && z.real < 0) r = make(0.0, isfinite(z.imag) ? z.imag : 0.0);
        else r = library(cexp, z);
        errno = isinf(z.imag) && (isfinite(z.real) || (isinf(z.real) && z.real > 0)) ? EDOM : 0;
        return r;
    }
    if (z.real > LOG_LARGE) {
        double size = exp(z.real - 1.0);
        r = make(size * cos(z.imag) * E, size * sin(z.imag) * E);
    }
    else {
        double size = exp(z.real);
        r = make(size * cos(z.imag), size * sin(z.imag));
    }
    return overflow_checked(r);
}

static C c_cosh(C z)
{
    C r;
    if (!finite_c(z)) {
        if (isinf(z.real) && isfinite(z.imag) && z.imag != 0.0)
            r = make(copysign(INFINITY, cos(z.imag)), copysign(INFINITY, z.real > 0 ? sin(z.imag) : -sin(z.imag)));
        else if (isnan(z.imag) && z.real == 0.0) r = make(NAN, 0.0);
        else if (isnan(z.real) && z.imag == 0.0) r = make(NAN, 0.0);
        else r = library(ccosh, z);
        errno = isinf(z.imag) && !isnan(z.real) ? EDOM : 0;
        return r;
    }
    if (fabs(z.real) > LOG_LARGE) {
        double x = z.real - copysign(1.0, z.real);
        r = make(cos(z.imag) * cosh(x) * E, sin(z.imag) * sinh(x) * E);
    }
    else r = make(cos(z.imag) * cosh(z.real), sin(z.imag) * sinh(z.real));
    return overflow_checked(r);
}

static C c_sinh(C z)
{
    C r;
    if (!finite_c(z)) {
        if (isinf(z.real) && isfinite(z.imag) && z.imag != 0.0)
            r = make(copysign(INFINITY, z.real > 0 ? cos(z.imag) : -cos(z.imag)), copysign(INFINITY, sin(z.imag)));
        else if (!isfinite(z.imag) && z.real == 0.0) r = make(0.0, NAN);
        else r = library(csinh, z);
        errno = isinf(z.imag) && !isnan(z.real) ? EDOM : 0;
        return r;
    }
    if (fabs(z.real) > LOG_LARGE) {
        double x = z.real - copysign(1.0, z.real);
        r = make(cos(z.imag) * sinh(x) * E, sin(z.imag) * cosh(x) * E);
    }
    else r = make(cos(z.imag) * sinh(z.real), sin(z.imag) * cosh(z.real));
    return overflow_checked(r);
}

static C c_tanh(C z)
{
    C r;
    if (!finite_c(z)) {
        if (isinf(z.real) && isfinite(z.imag) && z.imag != 0.0)
            r = make(z.real > 0 ? 1.0 : -1.0, copysign(0.0, 2.0 * sin(z.imag) * cos(z.imag)));
        else if (isnan(z.imag) && z.real == 0.0) r = make(NAN, NAN);
        else if (isinf(z.real) && !isfinite(z.imag)) r = make(copysign(1.0, z.real), 0.0);
        else r = library(ctanh, z);
        errno = isinf(z.imag) && isfinite(z.real) ? EDOM : 0;
        return r;
    }
    if (fabs(z.real) > LOG_LARGE) {
        r = make(copysign(1.0, z.real), 4.0 * sin(z.imag) * cos(z.imag) * exp(-2.0 * fabs(z.real)));
        errno = 0;                            /* underflow is no error */
        return r;
    }
    double tx = tanh(z.real), ty = tan(z.imag), cx = 1.0 / cosh(z.real), product = tx * ty, divisor = 1.0 + product * product;
    errno = 0;
    return make(tx * (1.0 + ty * ty) / divisor, ((ty / divisor) * cx) * cx);
}

static C c_cos(C z) { return c_cosh(make(-z.imag, z.real)); }

static C c_sin(C z)
{
    C s = c_sinh(make(-z.imag, z.real));
    return make(s.imag, -s.real);
}

static C c_tan(C z)
{
    C s = c_tanh(make(-z.imag, z.real));
    return make(s.imag, -s.real);
}

/* ---- inverses ------------------------------------------------------------------------------------------------------------------------------------- */

static double log_of_large(C z) { return log(hypot(z.real / 2.0, z.imag / 2.0)) + LN2 * 2.0; }

static C c_acos(C z)
{
    if (isinf(z.real) && isnan(z.imag)) {
        errno = 0;
        return make(NAN, INFINITY);
    }
    if (!finite_c(z)) return library(cacos, z);
    C r;
    if (is_large(z)) {
        r.real = atan2(fabs(z.imag), z.real);
        r.imag = z.real < 0.0 ? -copysign(log_of_large(z), z.imag) : copysign(log_of_large(z), -z.imag);
    }
    else {
        C s1 = c_sqrt(make(1.0 - z.real, -z.imag)), s2 = c_sqrt(make(1.0 + z.real, z.imag));
        r.real = 2.0 * atan2(s1.real, s2.real);
        r.imag = asinh(s2.real * s1.imag - s2.imag * s1.real);
    }
    errno = 0;
    return r;
}

static C c_acosh(C z)
{
    if (isnan(z.imag) && z.real == 0.0) {
        errno = 0;
        return make(NAN, NAN);
    }
    if (!finite_c(z)) return library(cacosh, z);
    C r;
    if (is_large(z)) {
        r.real = log_of_large(z);
        r.imag = atan2(z.imag, z.real);
    }
    else {
        C s1 = c_sqrt(make(z.real - 1.0, z.imag)), s2 = c_sqrt(make(z.real + 1.0, z.imag));
        r.real = asinh(s1.real * s2.real + s1.imag * s2.imag);
        r.imag = 2.0 * atan2(s1.imag, s2.real);
    }
    errno = 0;
    return r;
}

static C c_asinh(C z)
{
    if (!finite_c(z)) return library(casinh, z);
    C r;
    if (is_large(z)) {
        r.real = z.imag >= 0.0 ? copysign(log_of_large(z), z.real) : -copysign(log_of_large(z), -z.real);
        r.imag = atan2(z.imag, fabs(z.real));
    }
    else {
        C s1 = c_sqrt(make(1.0 + z.imag, -z.real)), s2 = c_sqrt(make(1.0 - z.imag, z.real));
        r.real = asinh(s1.real * s2.imag - s2.real * s1.imag);
        r.imag = atan2(z.imag, s1.real * s2.real - s1.imag * s2.imag);
    }
    errno = 0;
    return r;
}

static C c_asin(C z)
{
    C s = c_asinh(make(-z.imag, z.real));
    return make(s.imag, -s.real);
}

static C c_atanh(C z)
{
    if (!finite_c(z)) return library(catanh, z);
    if (signbit(z.real)) return negated(c_atanh(negated(z)));
    C r;
    double ay = fabs(z.imag);
    errno = 0;
    if (z.real > SQRT_LARGE || ay > SQRT_LARGE) {            /* 1 + z*z would overflow */
        double h = hypot(z.real / 2.0, z.imag / 2.0);
        r.real = z.real / 4.0 / h / h;
        r.imag = -copysign(PI / 2.0, -z.imag);
    }
    else if (z.real == 1.0 && ay < SQRT_SMALLEST) {
        if (ay == 0.0) {
            r = make(INFINITY, z.imag);
            errno = EDOM;
            return r;
        }
        r.real = -log(sqrt(ay) / sqrt(hypot(ay, 2.0)));
        r.imag = copysign(atan2(2.0, -ay) / 2, z.imag);
    }
    else {
        r.real = log1p(4.0 * z.real / ((1 - z.real) * (1 - z.real) + ay * ay)) / 4.0;
        r.imag = -atan2(-2.0 * z.imag, (1 - z.real) * (1 + z.real) - ay * ay) / 2.0;
    }
    errno = 0;
    return r;
}

static C c_atan(C z)
{
    C s = c_atanh(make(-z.imag, z.real));
    return make(s.imag, -s.real);
}

/* ---- Python functions ------------------------------------------------------------------------------------------------------------------------------ */

static COLD PyObject *raise_errno(void)
{
    if (errno == EDOM) PyErr_SetString(PyExc_ValueError, "math domain error");
    else if (errno == ERANGE) PyErr_SetString(PyExc_OverflowError, "math range error");
    else PyErr_SetFromErrno(PyExc_ValueError);
    return NULL;
}

static PyObject *call(PyObject *arg, Function *function)
{
    C z = PyComplex_AsCComplex(arg);
    if (z.real == -1.0 && PyErr_Occurred()) return NULL;
    errno = 0;
    C r = function(z);
    return errno ? raise_errno() : PyComplex_FromCComplex(r);
}

#define FUNCTION(name, text) BUILTIN_O(cmath, name, "($module, z, /)", text) { return call(arg, c_##name); }
FUNCTION(acos, "Arc cosine of z.")
FUNCTION(acosh, "Inverse hyperbolic cosine of z.")
FUNCTION(asin, "Arc sine of z.")
FUNCTION(asinh, "Inverse hyperbolic sine of z.")
FUNCTION(atan, "Arc tangent of z.")
FUNCTION(atanh, "Inverse hyperbolic tangent of z.")
FUNCTION(cos, "Cosine of z.")
FUNCTION(cosh, "Hyperbolic cosine of z.")
FUNCTION(exp, "e raised to z.")
FUNCTION(log10, "Logarithm of z to base 10.")
FUNCTION(sin, "Sine of z.")
FUNCTION(sinh, "Hyperbolic sine of z.")
FUNCTION(sqrt, "Square root of z.")
FUNCTION(tan, "Tangent of z.")
FUNCTION(tanh, "Hyperbolic tangent of z.")

#define COMPLEX_OR_NULL(z, o)                                           \
    C z = PyComplex_AsCComplex(o);                                      \
    if (z.real == -1.0 && PyErr_Occurred()) return NULL;

BUILTIN(cmath, log, POSITIONAL, "($module, z, base=<unrepresentable>, /)", "Logarithm of z, to base e or the given one.")
{
    COMPLEX_OR_NULL(z, arg[0])
    errno = 0;
    C r = c_log(z);
    if (arg[1]) {
        COMPLEX_OR_NULL(base, arg[1])
        int before = errno;
        C bottom = c_log(base);
        if (before) errno = before;
        r = _Py_c_quot(r, bottom);
    }
    return errno ? raise_errno() : PyComplex_FromCComplex(r);
}

/* An angle too small for a float is a range error. (The build does without the C library's errno.) */
static double angle(C z)
{
    double phi = atan2(z.imag, z.real);
    errno = phi == 0.0 && z.imag != 0.0 && isfinite(z.real) ? ERANGE : 0;
    return phi;
}

BUILTIN_O(cmath, phase, "($module, z, /)", "The angle of z, from -pi to pi.")
{
    COMPLEX_OR_NULL(z, arg)
    double phi = angle(z);
    return errno ? raise_errno() : PyFloat_FromDouble(phi);
}

BUILTIN_O(cmath, polar, "($module, z, /)", "z in polar coordinates: (distance from 0, angle).")
{
    COMPLEX_OR_NULL(z, arg)
    double phi = atan2(z.imag, z.real), r = _Py_c_abs(z);
    return errno ? raise_errno() : Py_BuildValue("(dd)", r, phi);
}

BUILTIN(cmath, rect, POSITIONAL, "($module, r, phi, /)", "The complex number of these polar coordinates.")
{
    double r = PyFloat_AsDouble(arg[0]);
    if (r == -1.0 && PyErr_Occurred()) return NULL;
    double phi = PyFloat_AsDouble(arg[1]);
    if (phi == -1.0 && PyErr_Occurred()) return NULL;
    C z;
    errno = 0;
    if (isfinite(r) && isfinite(phi)) {
        z = phi == 0.0 ? make(r, r * phi) : make(r * cos(phi), r * sin(phi));
        return PyComplex_FromCComplex(z);
    }
    if (isinf(r) && isfinite(phi)) {
        if (phi == 0.0) z = make(r, copysign(0.0, r > 0 ? phi : -phi));
        else z = make(copysign(INFINITY, r > 0 ? cos(phi) : -cos(phi)), copysign(INFINITY, r > 0 ? sin(phi) : -sin(phi)));
    }
    else if (r == 0.0) z = make(0.0, 0.0);
    else if (isinf(r)) z = make(INFINITY, NAN);
    else if (isnan(r) && phi == 0.0) z = make(NAN, 0.0);
    else z = make(NAN, NAN);
    if (r != 0.0 && !isnan(r) && isinf(phi)) errno = EDOM;
    return errno ? raise_errno() : PyComplex_FromCComplex(z);
}

BUILTIN_O(cmath, isfinite, "($module, z, /)", "Whether both parts of z are finite.")
{
    COMPLEX_OR_NULL(z, arg)
    return PyBool_FromLong(finite_c(z));
}

BUILTIN_O(cmath, isnan, "($module, z, /)", "Whether a part of z is a nan.")
{
    COMPLEX_OR_NULL(z, arg)
    return PyBool_FromLong(isnan(z.real) || isnan(z.imag));
}

BUILTIN_O(cmath, isinf, "($module, z, /)", "Whether a part of z is infinite.")
{
    COMPLEX_OR_NULL(z, arg)
    return PyBool_FromLong(isinf(z.real) || isinf(z.imag));
}

BUILTIN(cmath, isclose, KEYWORDS, "($module, /, a, b, *, rel_tol=1e-09, abs_tol=0.0)",
    "Whether a and b differ by no more than a tolerance.\n\n  rel_tol\n    largest difference relative to the larger of the two\n"
    "  abs_tol\n    largest difference, whatever their size\n\nOne tolerance met suffices. A nan is close to nothing, an infinity to itself.")
{
    double relative = 1e-09, absolute = 0.0;
    COMPLEX_OR_NULL(a, arg[0])
    COMPLEX_OR_NULL(b, arg[1])
    if (arg[2] && (relative = PyFloat_AsDouble(arg[2])) == -1.0 && PyErr_Occurred()) return NULL;
    if (arg[3] && (absolute = PyFloat_AsDouble(arg[3])) == -1.0 && PyErr_Occurred()) return NULL;
    if (relative < 0.0 || absolute < 0.0) {
        PyErr_SetString(PyExc_ValueError, "tolerances must be non-negative");
        return NULL;
    }
    if (a.real == b.real && a.imag == b.imag) Py_RETURN_TRUE;
    if (isinf(a.real) || isinf(a.imag) || isinf(b.real) || isinf(b.imag)) Py_RETURN_FALSE;
    double difference = _Py_c_abs(_Py_c_diff(a, b));
    return PyBool_FromLong(difference <= relative * _Py_c_abs(b) || difference <= relative * _Py_c_abs(a) || difference <= absolute);
}

static PyMethodDef cmath_methods[] = {
    METHOD(cmath, acos), METHOD(cmath, acosh), METHOD(cmath, asin), METHOD(cmath, asinh), METHOD(cmath, atan), METHOD(cmath, atanh),
    METHOD(cmath, cos), METHOD(cmath, cosh), METHOD(cmath, exp), METHOD(cmath, isclose), METHOD(cmath, isfinite), METHOD(cmath, isinf),
    METHOD(cmath, isnan), METHOD(cmath, log), METHOD(cmath, log10), METHOD(cmath, phase), METHOD(cmath, polar), METHOD(cmath, rect),
    METHOD(cmath, sin), METHOD(cmath, sinh), METHOD(cmath, sqrt), METHOD(cmath, tan), METHOD(cmath, tanh),
    {0},
};

static int cmath_exec(PyObject *module)
{
    if (PyModule_Add(module, "pi", PyFloat_FromDouble(PI)) < 0) return -1;
    if (PyModule_Add(module, "e", PyFloat_FromDouble(E)) < 0) return -1;
    if (PyModule_Add(module, "tau", PyFloat_FromDouble(2 * PI)) < 0) return -1;
    if (PyModule_Add(module, "inf", PyFloat_FromDouble(INFINITY)) < 0) return -1;
    if (PyModule_Add(module, "infj", PyComplex_FromDoubles(0.0, INFINITY)) < 0) return -1;
    if (PyModule_Add(module, "nan", PyFloat_FromDouble(fabs(NAN))) < 0) return -1;
    return PyModule_Add(module, "nanj", PyComplex_FromDoubles(0.0, fabs(NAN)));
}

static PyModuleDef_Slot cmath_slots[] = {
    { Py_mod_exec, cmath_exec },
    { Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED },
    { Py_mod_gil, Py_MOD_GIL_NOT_USED },
    {0},
};

static PyModuleDef cmath_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "cmath",
    .m_doc = "Mathematical functions of complex numbers.",
    .m_methods = cmath_methods,
    .m_slots = cmath_slots,
};

PyMODINIT_FUNC PyInit_cmath(void) { return PyModuleDef_Init(&cmath_module); }
