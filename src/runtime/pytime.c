/* Times: 64-bit nanoseconds. Conversions check for overflow and round as they are told. */
#include "runtime/pytime.h"
#include "runtime/state.h"

#include <errno.h>
#include <math.h>

enum { NS_PER_US = 1000, NS_PER_MS = 1000000, US_PER_SECOND = 1000000, MS_PER_SECOND = 1000 };
#define NS_PER_SECOND 1000000000LL

static int overflow(void)
{
    PyErr_SetString(PyExc_OverflowError, "timestamp too large to convert to C PyTime_t");
    return -1;
}

static int overflow_time_t(void)
{
    PyErr_SetString(PyExc_OverflowError, "timestamp out of range for platform time_t");
    return -1;
}

static double round_half_even(double x)
{
    double rounded = round(x);
    if (fabs(x - rounded) == 0.5) rounded = 2.0 * round(x / 2.0);
    return rounded;
}

static double round_double(double x, TimeRound how)
{
    volatile double d = x;
    if (how == ROUND_TIME_HALF_EVEN) d = round_half_even(d);
    else if (how == ROUND_TIME_CEILING) d = ceil(d);
    else if (how == ROUND_TIME_FLOOR) d = floor(d);
    else d = d >= 0.0 ? ceil(d) : floor(d);
    return d;
}

static int from_double(PyTime_t *t, double value, TimeRound round, long unit)
{
    value = round_double(value * (double)unit, round);
    if (!(-9223372036854775808.0 <= value && value < 9223372036854775808.0)) {
        *t = 0;
        return overflow();
    }
    *t = (PyTime_t)value;
    return 0;
}

static int from_object(PyTime_t *t, PyObject *o, TimeRound round, long unit)
{
    if (PyFloat_Check(o)) {
        double value = PyFloat_AsDouble(o);
        if (isnan(value)) {
            PyErr_SetString(PyExc_ValueError, "Invalid value NaN (not a number)");
            return -1;
        }
        return from_double(t, value, round, unit);
    }
    long long value = PyLong_AsLongLong(o);
    if (value == -1 && PyErr_Occurred()) {
        if (PyErr_ExceptionMatches(PyExc_OverflowError)) {
            PyErr_Clear();
            overflow();
        }
        return -1;
    }
    if (__builtin_mul_overflow(value, (long long)unit, t)) return overflow();
    return 0;
}

int time_from_seconds_object(PyTime_t *t, PyObject *o, TimeRound round) { return from_object(t, o, round, NS_PER_SECOND); }

int time_from_nanoseconds_object(PyTime_t *t, PyObject *o)
{
    if (!PyLong_Check(o)) {
        PyErr_Format(PyExc_TypeError, "expect int, got %s", Py_TYPE(o)->tp_name);
        return -1;
    }
    long long value = PyLong_AsLongLong(o);
    if (value == -1 && PyErr_Occurred()) {
        if (PyErr_ExceptionMatches(PyExc_OverflowError)) {
            PyErr_Clear();
            overflow();
        }
        return -1;
    }
    *t = value;
    return 0;
}

static PyTime_t time_divide(PyTime_t t, PyTime_t k, TimeRound round)
{
    PyTime_t quotient = t / k, rest = t % k;
    if (!rest) return quotient;
    switch (round) {
        case ROUND_TIME_HALF_EVEN: {
            PyTime_t twice = 2 * (rest < 0 ? -rest : rest);
            if (twice > k || (twice == k && quotient & 1)) return t >= 0 ? quotient + 1 : quotient - 1;
            return quotient;
        }
        case ROUND_TIME_CEILING: return t >= 0 ? quotient + 1 : quotient;
        case ROUND_TIME_FLOOR: return t >= 0 ? quotient : quotient - 1;
        default: return t >= 0 ? quotient + 1 : quotient - 1;
    }
}

PyTime_t time_add(PyTime_t a, PyTime_t b)
{
    PyTime_t sum;
    if (!__builtin_add_overflow(a, b, &sum)) return sum;
    return b > 0 ? PyTime_MAX : PyTime_MIN;
}

PyTime_t time_as_milliseconds(PyTime_t t, TimeRound round) { return time_divide(t, NS_PER_MS, round); }
PyTime_t time_as_microseconds(PyTime_t t, TimeRound round) { return time_divide(t, NS_PER_US, round); }

int time_as_timeval(PyTime_t t, struct timeval *tv, TimeRound round)
{
    PyTime_t us = time_divide(t, NS_PER_US, round), seconds = us / US_PER_SECOND, rest = us % US_PER_SECOND;
    if (rest < 0) {
        rest += US_PER_SECOND;
        seconds--;
    }
    tv->tv_sec = (time_t)seconds;
    tv->tv_usec = (suseconds_t)rest;
    return 0;
}

void time_as_timespec_clamped(PyTime_t t, struct timespec *ts)
{
    PyTime_t seconds = t / NS_PER_SECOND, rest = t % NS_PER_SECOND;
    if (rest < 0) {
        rest += NS_PER_SECOND;
        seconds--;
    }
    ts->tv_sec = (time_t)seconds;
    ts->tv_nsec = (long)rest;
}

int time_as_timespec(PyTime_t t, struct timespec *ts)
{
    time_as_timespec_clamped(t, ts);
    return 0;
}

PyObject *time_as_int(PyTime_t t) { return PyLong_FromLongLong(t); }
PyObject *time_as_float(PyTime_t t) { return PyFloat_FromDouble(PyTime_AsSecondsDouble(t)); }

PyTime_t time_from_timespec(const struct timespec *ts)
{
    PyTime_t t;
    if (__builtin_mul_overflow((PyTime_t)ts->tv_sec, (PyTime_t)NS_PER_SECOND, &t)) return ts->tv_sec > 0 ? PyTime_MAX : PyTime_MIN;
    return time_add(t, ts->tv_nsec);
}

/* Exact for whole seconds, so that large times keep their value. */
double PyTime_AsSecondsDouble(PyTime_t t)
{
    volatile double d;
    if (t % NS_PER_SECOND == 0) {
        d = (double)(t / NS_PER_SECOND);
        return d;
    }
    d = (double)t;
    d /= 1e9;
    return d;
}

/* ---- clocks ----------------------------------------------------------------------------------------------------- */

static int clock_read(clockid_t clock, PyTime_t *result, bool raise)
{
    struct timespec ts;
    if (clock_gettime(clock, &ts)) {
        *result = 0;
        if (raise) PyErr_SetFromErrno(PyExc_OSError);
        return -1;
    }
    *result = time_from_timespec(&ts);
    return 0;
}

int PyTime_Time(PyTime_t *t) { return clock_read(CLOCK_REALTIME, t, true); }
int PyTime_TimeRaw(PyTime_t *t) { return clock_read(CLOCK_REALTIME, t, false); }
int PyTime_Monotonic(PyTime_t *t) { return clock_read(CLOCK_MONOTONIC, t, true); }
int PyTime_MonotonicRaw(PyTime_t *t) { return clock_read(CLOCK_MONOTONIC, t, false); }
int PyTime_PerfCounter(PyTime_t *t) { return clock_read(CLOCK_MONOTONIC, t, true); }
int PyTime_PerfCounterRaw(PyTime_t *t) { return clock_read(CLOCK_MONOTONIC, t, false); }

PyTime_t time_deadline(PyTime_t timeout)
{
    PyTime_t now;
    PyTime_MonotonicRaw(&now);
    return time_add(now, timeout);
}

PyTime_t time_left(PyTime_t deadline)
{
    PyTime_t now;
    PyTime_MonotonicRaw(&now);
    return time_add(deadline, now == PyTime_MIN ? PyTime_MAX : -now);
}

/* ---- objects to time_t ------------------------------------------------------------------------------------------ */

static int double_to_fraction(double d, time_t *seconds, long *numerator, long unit, TimeRound round)
{
    volatile double whole;
    double whole_part, fraction = modf(d, &whole_part);
    whole = whole_part;
    fraction = round_double(fraction * (double)unit, round);
    if (fraction >= (double)unit) {
        fraction -= (double)unit;
        whole += 1.0;
    }
    else if (fraction < 0) {
        fraction += (double)unit;
        whole -= 1.0;
    }
    if (!(-9223372036854775808.0 <= whole && whole < 9223372036854775808.0)) return overflow_time_t();
    *seconds = (time_t)whole;
    *numerator = (long)fraction;
    return 0;
}

static int long_to_time_t(PyObject *o, time_t *seconds)
{
    long long value = PyLong_AsLongLong(o);
    if (value == -1 && PyErr_Occurred()) {
        if (PyErr_ExceptionMatches(PyExc_OverflowError)) {
            PyErr_Clear();
            overflow_time_t();
        }
        return -1;
    }
    *seconds = (time_t)value;
    return 0;
}

static int object_to_fraction(PyObject *o, time_t *seconds, long *numerator, long unit, TimeRound round)
{
    if (PyFloat_Check(o)) {
        double d = PyFloat_AsDouble(o);
        if (isnan(d)) {
            *numerator = 0;
            PyErr_SetString(PyExc_ValueError, "Invalid value NaN (not a number)");
            return -1;
        }
        return double_to_fraction(d, seconds, numerator, unit, round);
    }
    *numerator = 0;
    return long_to_time_t(o, seconds);
}

int time_object_to_time_t(PyObject *o, time_t *seconds, TimeRound round)
{
    if (!PyFloat_Check(o)) return long_to_time_t(o, seconds);
    double d = PyFloat_AsDouble(o);
    if (isnan(d)) {
        PyErr_SetString(PyExc_ValueError, "Invalid value NaN (not a number)");
        return -1;
    }
    d = round_double(d, round);
    if (!(-9223372036854775808.0 <= d && d < 9223372036854775808.0)) return overflow_time_t();
    *seconds = (time_t)d;
    return 0;
}

int time_object_to_timespec(PyObject *o, time_t *seconds, long *nanoseconds, TimeRound round)
{
    return object_to_fraction(o, seconds, nanoseconds, NS_PER_SECOND, round);
}

int time_object_to_timeval(PyObject *o, time_t *seconds, long *microseconds, TimeRound round)
{
    return object_to_fraction(o, seconds, microseconds, US_PER_SECOND, round);
}
