/* _statistics: the inverse of the cumulative normal distribution, which statistics.NormalDist uses. */
#include "capi/args.h"

#include <math.h>

/* Wichura's algorithm AS241, good to about 16 digits. */
static double inverse_normal(double p, double mu, double sigma)
{
    double top, bottom, r, x, q = p - 0.5;
    if (fabs(q) <= 0.425) {
        r = 0.180625 - q * q;
        top = (((((((2.5090809287301226727e+3 * r + 3.3430575583588128105e+4) * r + 6.7265770927008700853e+4) * r +
                   4.5921953931549871457e+4) * r + 1.3731693765509461125e+4) * r + 1.9715909503065514427e+3) * r +
                1.3314166789178437745e+2) * r + 3.3871328727963666080e+0) * q;
        bottom = (((((((5.2264952788528545610e+3 * r + 2.8729085735721942674e+4) * r + 3.9307895800092710610e+4) * r +
                      2.1213794301586595867e+4) * r + 5.3941960214247511077e+3) * r + 6.8718700749205790830e+2) * r +
                   4.2313330701600911252e+1) * r + 1.0);
        if (bottom == 0.0) return -1.0;
        return mu + top / bottom * sigma;
    }
    r = q <= 0.0 ? p : 1.0 - p;
    if (r <= 0.0 || r >= 1.0) return NAN;
    r = sqrt(-log(r));
    if (r <= 5.0) {
        r -= 1.6;
        top = (((((((7.74545014278341407640e-4 * r + 2.27238449892691845833e-2) * r + 2.41780725177450611770e-1) * r +
                   1.27045825245236838258e+0) * r + 3.64784832476320460504e+0) * r + 5.76949722146069140550e+0) * r +
                4.63033784615654529590e+0) * r + 1.42343711074968357734e+0);
        bottom = (((((((1.05075007164441684324e-9 * r + 5.47593808499534494600e-4) * r + 1.51986665636164571966e-2) * r +
                      1.48103976427480074590e-1) * r + 6.89767334985100004550e-1) * r + 1.67638483018380384940e+0) * r +
                   2.05319162663775882187e+0) * r + 1.0);
    }
    else {
        r -= 5.0;
        top = (((((((2.01033439929228813265e-7 * r + 2.71155556874348757815e-5) * r + 1.24266094738807843860e-3) * r +
                   2.65321895265761230930e-2) * r + 2.96560571828504891230e-1) * r + 1.78482653991729133580e+0) * r +
                5.46378491116411436990e+0) * r + 6.65790464350110377720e+0);
        bottom = (((((((2.04426310338993978564e-15 * r + 1.42151175831644588870e-7) * r + 1.84631831751005468180e-5) * r +
                      7.86869131145613259100e-4) * r + 1.48753612908506148525e-2) * r + 1.36929880922735805310e-1) * r +
                   5.99832206555887937690e-1) * r + 1.0);
    }
    x = top / bottom;
    if (q < 0.0) x = -x;
    return mu + x * sigma;
}

BUILTIN(statistics, _normal_dist_inv_cdf, POSITIONAL, "($module, p, mu, sigma, /)",
    "The x whose share of the normal distribution below it is p.")
{
    double value[3];
    for (int i = 0; i < 3; i++) {
        value[i] = PyFloat_AsDouble(arg[i]);
        if (value[i] == -1.0 && PyErr_Occurred()) return NULL;
    }
    return PyFloat_FromDouble(inverse_normal(value[0], value[1], value[2]));
}

static PyMethodDef statistics_methods[] = { METHOD(statistics, _normal_dist_inv_cdf), {0} };

static PyModuleDef_Slot statistics_slots[] = {
    { Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED },
    { Py_mod_gil, Py_MOD_GIL_NOT_USED },
    {0},
};

static PyModuleDef statistics_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_statistics",
    .m_doc = "What statistics has in C.\n",
    .m_methods = statistics_methods,
    .m_slots = statistics_slots,
};

PyMODINIT_FUNC PyInit__statistics(void) { return PyModuleDef_Init(&statistics_module); }
