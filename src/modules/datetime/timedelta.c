/* timedelta: a duration kept as days, seconds (less than a day) and microseconds (less than a second).
 *
 * A timedelta has 67 bits of microseconds. Arithmetic is done in 128 bits where that is exact and with Python's integers where an
 * operand is larger; fractions are rounded half to even. */
#include "datetime_private.h"

#include <math.h>

#define DELTA_LIMIT ((Wide)INT32_MAX * MICROSECONDS_A_DAY)          /* past it, not even the days fit a C int */

Delta delta_zero = { PyObject_HEAD_INIT(&timedelta_type) .hashcode = -1 };
Delta delta_microsecond = { PyObject_HEAD_INIT(&timedelta_type) .hashcode = -1, .microseconds = 1 };
Delta delta_day = { PyObject_HEAD_INIT(&timedelta_type) .hashcode = -1, .days = 1 };
Delta delta_min = { PyObject_HEAD_INIT(&timedelta_type) .hashcode = -1, .days = -DELTA_DAYS_MAX };
Delta delta_max = { PyObject_HEAD_INIT(&timedelta_type) .hashcode = -1, .days = DELTA_DAYS_MAX, .seconds = 86399, .microseconds = 999999 };

/* ---- making ---------------------------------------------------------------------------------------------------------------- */

static COLD PyObject *days_error(int64_t days)
{
    if (days < INT_MIN || days > INT_MAX) PyErr_SetString(PyExc_OverflowError, "Python int too large to convert to C int");
    else PyErr_Format(PyExc_OverflowError, "days=%d; must have magnitude <= %d", (int)days, DELTA_DAYS_MAX);
    return NULL;
}

PyObject *delta_make(PyTypeObject *type, int64_t days, int seconds, int microseconds)
{
    if (UNLIKELY(days < -DELTA_DAYS_MAX || days > DELTA_DAYS_MAX)) return days_error(days);
    Delta *d = (Delta *)(type == &timedelta_type ? object_alloc(thread_get(), type, sizeof(Delta)) : type->tp_alloc(type, 0));
    if (UNLIKELY(!d)) return NULL;
    d->hashcode = -1;
    d->days = (int)days;
    d->seconds = seconds;
    d->microseconds = microseconds;
    return (PyObject *)d;
}

PyObject *delta_make_carrying(int64_t days, int64_t seconds, int64_t microseconds)
{
    if (microseconds < 0 || microseconds >= 1000000) {
        int64_t carry = microseconds / 1000000;
        microseconds %= 1000000;
        if (microseconds < 0) {
            microseconds += 1000000;
            carry--;
        }
        seconds += carry;
    }
    if (seconds < 0 || seconds >= SECONDS_A_DAY) {
        int64_t carry = seconds / SECONDS_A_DAY;
        seconds %= SECONDS_A_DAY;
        if (seconds < 0) {
            seconds += SECONDS_A_DAY;
            carry--;
        }
        days += carry;
    }
    return delta_make(&timedelta_type, days, (int)seconds, (int)microseconds);
}

PyObject *delta_from_wide(PyTypeObject *type, Wide us)
{
    if (UNLIKELY(us > DELTA_LIMIT + MICROSECONDS_A_DAY || us < -DELTA_LIMIT - 2 * MICROSECONDS_A_DAY)) return days_error(INT64_MAX);
    int64_t days, rest;
    if (LIKELY(us >= INT64_MIN && us <= INT64_MAX)) {
        days = (int64_t)us / MICROSECONDS_A_DAY;
        rest = (int64_t)us % MICROSECONDS_A_DAY;
    } else {
        days = (int64_t)(us / MICROSECONDS_A_DAY);
        rest = (int64_t)(us % MICROSECONDS_A_DAY);
    }
    if (rest < 0) {
        rest += MICROSECONDS_A_DAY;
        days--;
    }
    return delta_make(type, days, (int)(rest / 1000000), (int)(rest % 1000000));
}

static PyObject *int_from_wide(Wide value)
{
    if (value >= INT64_MIN && value <= INT64_MAX) return PyLong_FromLongLong((int64_t)value);
    return PyLong_FromNativeBytes(&value, sizeof value, -1);
}

static PyObject *delta_as_int(PyObject *delta) { return int_from_wide(delta_microseconds(delta)); }

/* From any int of microseconds. */
static PyObject *delta_from_int(PyTypeObject *type, PyObject *us)
{
    Wide value;
    Py_ssize_t need = PyLong_AsNativeBytes(us, &value, sizeof value, -1);
    if (need < 0) return NULL;
    if (need > (Py_ssize_t)sizeof value) return days_error(INT64_MAX);
    return delta_from_wide(type, value);
}

/* ---- the constructor: a sum of seven components ---------------------------------------------------------------------------- */

static const struct { const char *name; int64_t microseconds; } components[] = {
    { "days", MICROSECONDS_A_DAY }, { "seconds", 1000000 }, { "microseconds", 1 }, { "milliseconds", 1000 },
    { "minutes", 60000000 }, { "hours", INT64_C(3600000000) }, { "weeks", 7 * MICROSECONDS_A_DAY },
};

/* The order in which floating-point remainders are added up. */
static const uint8_t component_order[] = { 2, 3, 1, 4, 5, 0, 6 };

/* The whole part of value * factor goes to *sum, what is left to *leftover. False: too large for this way. */
static bool add_component(PyObject *value, int64_t factor, Wide *sum, double *leftover)
{
    if (PyLong_CheckExact(value)) {
        int overflow;
        long long n = PyLong_AsLongLongAndOverflow(value, &overflow);
        if (overflow) return false;
        *sum += (Wide)n * factor;
        return true;
    }
    if (!PyFloat_CheckExact(value)) return false;
    double whole, fraction = modf(PyFloat_AS_DOUBLE(value), &whole);
    if (!(fabs(whole) < 9e18)) return false;
    *sum += (Wide)(int64_t)whole * factor;
    if (fraction == 0.0) return true;
    *leftover += modf(fraction * (double)factor, &whole);
    *sum += (int64_t)whole;
    return true;
}

/* Steals *sum on success and failure; sum + a * b. */
static int add_product(PyObject **sum, PyObject *a, int64_t b)
{
    PyObject *factor = PyLong_FromLongLong(b), *product = factor ? PyNumber_Multiply(a, factor) : NULL;
    PyObject *total = product ? PyNumber_Add(*sum, product) : NULL;
    Py_XDECREF(factor);
    Py_XDECREF(product);
    Py_DECREF(*sum);
    *sum = total;
    return total ? 0 : -1;
}

static int add_component_slow(PyObject *value, int which, PyObject **sum, double *leftover)
{
    int64_t factor = components[which].microseconds;
    if (PyLong_Check(value)) return add_product(sum, value, factor);
    if (!PyFloat_Check(value)) {
        PyErr_Format(PyExc_TypeError, "unsupported type for timedelta %s component: %s", components[which].name, Py_TYPE(value)->tp_name);
        return -1;
    }
    double whole, fraction = modf(PyFloat_AS_DOUBLE(value), &whole);
    PyObject *part = PyLong_FromDouble(whole);
    if (!part) return -1;
    int status = add_product(sum, part, factor);
    Py_DECREF(part);
    if (status < 0 || fraction == 0.0) return status;
    *leftover += modf(fraction * (double)factor, &whole);
    if (!(part = PyLong_FromDouble(whole))) return -1;
    status = add_product(sum, part, 1);
    Py_DECREF(part);
    return status;
}

/* leftover to the nearest integer, so that the sum with something odd or even rounds half to even. */
static double round_leftover(double leftover, bool odd)
{
    double rounded = round(leftover);
    if (fabs(rounded - leftover) == 0.5) rounded = 2.0 * round((leftover + odd) * 0.5) - odd;
    return rounded;
}

static PyObject *delta_sum_slow(PyTypeObject *type, PyObject *const *given)
{
    PyObject *sum = PyLong_FromLong(0), *result = NULL;
    double leftover = 0.0;
    if (!sum) return NULL;
    for (size_t i = 0; i < ARRAY_LENGTH(component_order); i++) {
        int which = component_order[i];
        if (given[which] && add_component_slow(given[which], which, &sum, &leftover) < 0) goto done;
    }
    if (leftover) {
        PyObject *one = PyLong_FromLong(1), *bit = one ? PyNumber_And(sum, one) : NULL;
        Py_XDECREF(one);
        if (!bit) goto done;
        long low = PyLong_AsLong(bit);
        Py_DECREF(bit);
        if (low == -1 && PyErr_Occurred()) goto done;
        bool odd = low != 0;
        PyObject *extra = PyLong_FromDouble(round_leftover(leftover, odd));
        if (!extra) goto done;
        int status = add_product(&sum, extra, 1);
        Py_DECREF(extra);
        if (status < 0) goto done;
    }
    result = delta_from_int(type, sum);
done:
    Py_XDECREF(sum);
    return result;
}

/* given: the seven components or NULL each. */
static PyObject *delta_sum(PyTypeObject *type, PyObject *const *given)
{
    Wide sum = 0;
    double leftover = 0.0;
    for (size_t i = 0; i < ARRAY_LENGTH(component_order); i++) {
        int which = component_order[i];
        if (given[which] && !add_component(given[which], components[which].microseconds, &sum, &leftover))
            return delta_sum_slow(type, given);
    }
    if (leftover) sum += (int64_t)round_leftover(leftover, sum & 1);
    return delta_from_wide(type, sum);
}

SIGNATURE(delta_signature, "__new__", KEYWORDS, "(days=0, seconds=0, microseconds=0, milliseconds=0, minutes=0, hours=0, weeks=0)");

static PyObject *delta_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *given[7];
    if (args_bind_tuple(&delta_signature, args, kwargs, given) < 0) return NULL;
    return delta_sum(type, given);
}

static PyObject *delta_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    PyObject *given[7];
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    if ((kwnames || !args_bind_simple(args_signature(&delta_signature), args, nargs, given)) &&
        args_bind(&delta_signature, args, nargs, kwnames, given) < 0) return NULL;
    return delta_sum((PyTypeObject *)type, given);
}

/* ---- arithmetic ------------------------------------------------------------------------------------------------------------ */

#define BOTH_DELTAS_OR_NOT_IMPLEMENTED(a, b) if (!is_delta(a) || !is_delta(b)) Py_RETURN_NOTIMPLEMENTED

static PyObject *delta_add(PyObject *a, PyObject *b)
{
    BOTH_DELTAS_OR_NOT_IMPLEMENTED(a, b);
    return delta_make_carrying((int64_t)DELTA(a)->days + DELTA(b)->days, DELTA(a)->seconds + DELTA(b)->seconds,
                               DELTA(a)->microseconds + DELTA(b)->microseconds);
}

static PyObject *delta_subtract(PyObject *a, PyObject *b)
{
    BOTH_DELTAS_OR_NOT_IMPLEMENTED(a, b);
    return delta_make_carrying((int64_t)DELTA(a)->days - DELTA(b)->days, DELTA(a)->seconds - DELTA(b)->seconds,
                               DELTA(a)->microseconds - DELTA(b)->microseconds);
}

static PyObject *delta_negative(PyObject *a)
{
    return delta_make_carrying(-(int64_t)DELTA(a)->days, -DELTA(a)->seconds, -DELTA(a)->microseconds);
}

static PyObject *delta_positive(PyObject *a) { return delta_make(&timedelta_type, DELTA(a)->days, DELTA(a)->seconds, DELTA(a)->microseconds); }
static PyObject *delta_absolute(PyObject *a) { return DELTA(a)->days < 0 ? delta_negative(a) : delta_positive(a); }
static int delta_bool(PyObject *a) { return delta_is_true(a); }

/* An int of 64 bits. */
static bool narrow_int(PyObject *o, int64_t *value)
{
    int overflow;
    *value = PyLong_AsLongLongAndOverflow(o, &overflow);
    return !overflow;
}

static PyObject *multiply_by_int(PyObject *delta, PyObject *n)
{
    Wide us = delta_microseconds(delta);
    int64_t by;
    if (us == 0) return delta_make(&timedelta_type, 0, 0, 0);
    if (!narrow_int(n, &by)) return days_error(INT64_MAX);
    Wide size = us < 0 ? -us : us, times = by < 0 ? -(Wide)by : by;
    if (times > 2 * DELTA_LIMIT / size + 1) return days_error(INT64_MAX);
    return delta_from_wide(&timedelta_type, us * by);
}

/* floor(a / b) and the remainder, b not 0. */
static Wide floor_divide(Wide a, Wide b, Wide *rest)
{
    Wide q = a / b, r = a % b;
    if (r && (r < 0) != (b < 0)) {
        q--;
        r += b;
    }
    *rest = r;
    return q;
}

/* a / b to the nearest integer, half to even; ints of any size. */
static PyObject *divide_nearest_int(PyObject *a, PyObject *b)
{
    PyObject *pair = NULL, *doubled = NULL, *two, *result = NULL;
    if (!PyLong_Check(a) || !PyLong_Check(b)) {
        PyErr_SetString(PyExc_TypeError, "non-integer arguments in division");
        return NULL;
    }
    if (!(two = PyLong_FromLong(2)) || !(pair = PyLong_Type.tp_as_number->nb_divmod(a, b))) goto done;
    PyObject *q = PyTuple_GET_ITEM(pair, 0);
    if (!(doubled = PyNumber_Multiply(PyTuple_GET_ITEM(pair, 1), two))) goto done;
    /* The remainder has the sign of b: round up when 2r is past b. */
    int64_t sign_b = 0, ignored;
    if (!narrow_int(b, &sign_b)) {
        PyObject *zero = PyLong_FromLong(0);
        int negative = zero ? PyObject_RichCompareBool(b, zero, Py_LT) : -1;
        Py_XDECREF(zero);
        if (negative < 0) goto done;
        sign_b = negative ? -1 : 1;
    }
    int past = PyObject_RichCompareBool(doubled, b, sign_b < 0 ? Py_LT : Py_GT);
    if (past < 0) goto done;
    if (!past) {
        int half = PyObject_RichCompareBool(doubled, b, Py_EQ);
        if (half < 0) goto done;
        if (half) {
            PyObject *rest = PyNumber_Remainder(q, two);
            if (!rest) goto done;
            past = narrow_int(rest, &ignored) && ignored != 0;
            Py_DECREF(rest);
        }
    }
    if (!past) {
        result = Py_NewRef(q);
        goto done;
    }
    PyObject *one = PyLong_FromLong(1);
    result = one ? PyNumber_Add(q, one) : NULL;
    Py_XDECREF(one);
done:
    Py_XDECREF(two);
    Py_XDECREF(pair);
    Py_XDECREF(doubled);
    return result;
}

static Wide divide_nearest(Wide a, Wide b)
{
    Wide rest, q = floor_divide(a, b, &rest);
    Wide twice = 2 * rest;
    if (b > 0 ? twice > b : twice < b) q++;
    else if (twice == b && q & 1) q++;
    return q;
}

static PyObject *float_ratio(PyObject *number)
{
    PyObject *ratio = PyObject_CallMethod(number, "as_integer_ratio", NULL);
    if (!ratio) return NULL;
    if (!PyTuple_Check(ratio)) {
        PyErr_Format(PyExc_TypeError, "unexpected return type from as_integer_ratio(): expected tuple, not '%.200s'",
                     Py_TYPE(ratio)->tp_name);
    } else if (PyTuple_GET_SIZE(ratio) != 2) {
        PyErr_SetString(PyExc_ValueError, "as_integer_ratio() must return a 2-tuple");
    } else {
        return ratio;
    }
    Py_DECREF(ratio);
    return NULL;
}

/* delta * number (divide false) or delta / number, for a float. */
static PyObject *scale_by_float(PyObject *delta, PyObject *number, bool divide)
{
    PyObject *ratio = float_ratio(number), *us = NULL, *product = NULL, *scaled = NULL, *result = NULL;
    if (!ratio || !(us = delta_as_int(delta))) goto done;
    if (!(product = PyNumber_Multiply(us, PyTuple_GET_ITEM(ratio, divide)))) goto done;
    if (!(scaled = divide_nearest_int(product, PyTuple_GET_ITEM(ratio, !divide)))) goto done;
    result = delta_from_int(&timedelta_type, scaled);
done:
    Py_XDECREF(ratio);
    Py_XDECREF(us);
    Py_XDECREF(product);
    Py_XDECREF(scaled);
    return result;
}

static PyObject *delta_multiply(PyObject *a, PyObject *b)
{
    PyObject *delta = is_delta(a) ? a : b, *other = delta == a ? b : a;
    if (PyLong_Check(other)) return multiply_by_int(delta, other);
    if (PyFloat_Check(other)) return scale_by_float(delta, other, false);
    Py_RETURN_NOTIMPLEMENTED;
}

static COLD PyObject *zero_division(const char *text)
{
    PyErr_SetString(PyExc_ZeroDivisionError, text);
    return NULL;
}

static PyObject *delta_floor_divide(PyObject *a, PyObject *b)
{
    if (!is_delta(a)) Py_RETURN_NOTIMPLEMENTED;
    Wide rest;
    if (is_delta(b)) {
        Wide by = delta_microseconds(b);
        return by ? int_from_wide(floor_divide(delta_microseconds(a), by, &rest)) : zero_division("integer division or modulo by zero");
    }
    if (!PyLong_Check(b)) Py_RETURN_NOTIMPLEMENTED;
    int64_t n;
    if (narrow_int(b, &n)) {
        if (n == 0) return zero_division("integer division or modulo by zero");
        return delta_from_wide(&timedelta_type, floor_divide(delta_microseconds(a), n, &rest));
    }
    PyObject *us = delta_as_int(a), *quotient = us ? PyNumber_FloorDivide(us, b) : NULL;
    PyObject *result = quotient ? delta_from_int(&timedelta_type, quotient) : NULL;
    Py_XDECREF(us);
    Py_XDECREF(quotient);
    return result;
}

static PyObject *delta_ratio(PyObject *a, PyObject *b)
{
    Wide x = delta_microseconds(a), y = delta_microseconds(b), exact = (Wide)1 << 53;
    if (y && x <= exact && x >= -exact && y <= exact && y >= -exact) return PyFloat_FromDouble((double)(int64_t)x / (double)(int64_t)y);
    PyObject *left = int_from_wide(x), *right = left ? int_from_wide(y) : NULL;
    PyObject *result = right ? PyNumber_TrueDivide(left, right) : NULL;
    Py_XDECREF(left);
    Py_XDECREF(right);
    return result;
}

static PyObject *delta_true_divide(PyObject *a, PyObject *b)
{
    if (!is_delta(a)) Py_RETURN_NOTIMPLEMENTED;
    if (is_delta(b)) return delta_ratio(a, b);
    if (PyFloat_Check(b)) return scale_by_float(a, b, true);
    if (!PyLong_Check(b)) Py_RETURN_NOTIMPLEMENTED;
    int64_t n;
    if (narrow_int(b, &n)) {
        if (n == 0) return zero_division("integer division or modulo by zero");
        return delta_from_wide(&timedelta_type, divide_nearest(delta_microseconds(a), n));
    }
    PyObject *us = delta_as_int(a), *quotient = us ? divide_nearest_int(us, b) : NULL;
    PyObject *result = quotient ? delta_from_int(&timedelta_type, quotient) : NULL;
    Py_XDECREF(us);
    Py_XDECREF(quotient);
    return result;
}

static PyObject *delta_remainder(PyObject *a, PyObject *b)
{
    BOTH_DELTAS_OR_NOT_IMPLEMENTED(a, b);
    Wide by = delta_microseconds(b), rest;
    if (!by) return zero_division("integer modulo by zero");
    floor_divide(delta_microseconds(a), by, &rest);
    return delta_from_wide(&timedelta_type, rest);
}

static PyObject *delta_divmod(PyObject *a, PyObject *b)
{
    BOTH_DELTAS_OR_NOT_IMPLEMENTED(a, b);
    Wide by = delta_microseconds(b), rest;
    if (!by) return zero_division("integer division or modulo by zero");
    PyObject *quotient = int_from_wide(floor_divide(delta_microseconds(a), by, &rest));
    PyObject *remainder = quotient ? delta_from_wide(&timedelta_type, rest) : NULL;
    PyObject *result = remainder ? PyTuple_Pack(2, quotient, remainder) : NULL;
    Py_XDECREF(quotient);
    Py_XDECREF(remainder);
    return result;
}

/* ---- comparison, text, the rest ----------------------------------------------------------------------------------------------- */

int delta_compare(PyObject *a, PyObject *b)
{
    Delta *x = DELTA(a), *y = DELTA(b);
    if (x->days != y->days) return x->days < y->days ? -1 : 1;
    if (x->seconds != y->seconds) return x->seconds < y->seconds ? -1 : 1;
    return x->microseconds < y->microseconds ? -1 : x->microseconds > y->microseconds;
}

PyObject *compare_result(int difference, int op) { Py_RETURN_RICHCOMPARE(difference, 0, op); }

static PyObject *delta_richcompare(PyObject *a, PyObject *b, int op)
{
    if (!is_delta(b)) Py_RETURN_NOTIMPLEMENTED;
    return compare_result(delta_compare(a, b), op);
}

static PyObject *delta_state(PyObject *self)
{
    return Py_BuildValue("iii", DELTA(self)->days, DELTA(self)->seconds, DELTA(self)->microseconds);
}

static Py_hash_t delta_hash(PyObject *self)
{
    if (DELTA(self)->hashcode != -1) return DELTA(self)->hashcode;
    PyObject *state = delta_state(self);
    if (!state) return -1;
    Py_hash_t hash = PyObject_Hash(state);
    Py_DECREF(state);
    return DELTA(self)->hashcode = hash;
}

static PyObject *delta_repr(PyObject *self)
{
    static const char *const names[] = { "days", "seconds", "microseconds" };
    int values[] = { DELTA(self)->days, DELTA(self)->seconds, DELTA(self)->microseconds };
    char text[100], *at = text, *end = text + sizeof text;
    for (int i = 0; i < 3; i++)
        if (values[i]) at += snprintf(at, (size_t)(end - at), "%s%s=%d", at == text ? "" : ", ", names[i], values[i]);
    if (at == text) strcpy(text, "0");
    return PyUnicode_FromFormat("%s(%s)", Py_TYPE(self)->tp_name, text);
}

static PyObject *delta_str(PyObject *self)
{
    Delta *d = DELTA(self);
    char text[80], *at = text, *end = text + sizeof text;
    if (d->days) at += snprintf(at, (size_t)(end - at), "%d day%s, ", d->days, d->days == 1 || d->days == -1 ? "" : "s");
    at += snprintf(at, (size_t)(end - at), "%d:%02d:%02d", d->seconds / 3600, d->seconds / 60 % 60, d->seconds % 60);
    if (d->microseconds) snprintf(at, (size_t)(end - at), ".%06d", d->microseconds);
    return PyUnicode_FromString(text);
}

BUILTIN_NOARGS(delta, total_seconds, "($self, /)", "The whole duration in seconds.")
{
    Wide us = delta_microseconds(self);
    if (us <= (Wide)1 << 53 && us >= -((Wide)1 << 53)) return PyFloat_FromDouble((double)(int64_t)us / 1e6);
    PyObject *number = int_from_wide(us), *million = number ? PyLong_FromLong(1000000) : NULL;
    PyObject *result = million ? PyNumber_TrueDivide(number, million) : NULL;
    Py_XDECREF(number);
    Py_XDECREF(million);
    return result;
}

BUILTIN_NOARGS(delta, __reduce__, "($self, /)", "__reduce__() -> (cls, state)")
{
    return Py_BuildValue("ON", Py_TYPE(self), delta_state(self));
}

static PyMemberDef delta_members[] = {
    { "days", Py_T_INT, offsetof(Delta, days), Py_READONLY, PyDoc_STR("Number of days.") },
    { "seconds", Py_T_INT, offsetof(Delta, seconds), Py_READONLY, PyDoc_STR("Number of seconds (>= 0 and less than 1 day).") },
    { "microseconds", Py_T_INT, offsetof(Delta, microseconds), Py_READONLY,
      PyDoc_STR("Number of microseconds (>= 0 and less than 1 second).") },
    {0},
};

static PyMethodDef delta_methods[] = { METHOD(delta, total_seconds), METHOD(delta, __reduce__), {0} };

static PyNumberMethods delta_numbers = {
    .nb_add = delta_add, .nb_subtract = delta_subtract, .nb_multiply = delta_multiply, .nb_remainder = delta_remainder,
    .nb_divmod = delta_divmod, .nb_negative = delta_negative, .nb_positive = delta_positive, .nb_absolute = delta_absolute,
    .nb_bool = delta_bool, .nb_floor_divide = delta_floor_divide, .nb_true_divide = delta_true_divide,
};

static void delta_dealloc(PyObject *self) { Py_TYPE(self)->tp_free(self); }

PyTypeObject timedelta_type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "datetime.timedelta",
    .tp_basicsize = sizeof(Delta),
    .tp_dealloc = delta_dealloc,
    .tp_repr = delta_repr,
    .tp_as_number = &delta_numbers,
    .tp_hash = delta_hash,
    .tp_str = delta_str,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_doc = PyDoc_STR("Difference between two datetime values.\n\n"
                        "timedelta(days=0, seconds=0, microseconds=0, milliseconds=0, minutes=0, hours=0, weeks=0)\n\n"
                        "All arguments are optional and default to 0.\n"
                        "Arguments may be integers or floats, and may be positive or negative."),
    .tp_richcompare = delta_richcompare,
    .tp_methods = delta_methods,
    .tp_members = delta_members,
    .tp_new = delta_new,
    .tp_vectorcall = delta_vectorcall,
};
