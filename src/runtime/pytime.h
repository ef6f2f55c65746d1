/* Times as 64-bit nanoseconds, and their conversions. Clocks are the public PyTime_* of pytime.h. */
#ifndef TAIPAN_RUNTIME_PYTIME_H
#define TAIPAN_RUNTIME_PYTIME_H

#include "taipan.h"
#include <sys/time.h>
#include <time.h>

typedef enum TimeRound { ROUND_TIME_FLOOR, ROUND_TIME_CEILING, ROUND_TIME_HALF_EVEN, ROUND_TIME_UP } TimeRound;
#define ROUND_TIMEOUT ROUND_TIME_UP

/* Seconds as int or float (anything with __index__ or __float__ that CPython takes). 0, or -1 with an exception. */
int time_from_seconds_object(PyTime_t *t, PyObject *seconds, TimeRound round);
int time_from_nanoseconds_object(PyTime_t *t, PyObject *nanoseconds);
/* Saturating; no exception. */
PyTime_t time_add(PyTime_t a, PyTime_t b);
PyTime_t time_as_milliseconds(PyTime_t t, TimeRound round);
PyTime_t time_as_microseconds(PyTime_t t, TimeRound round);
int time_as_timeval(PyTime_t t, struct timeval *tv, TimeRound round);           /* OverflowError */
int time_as_timespec(PyTime_t t, struct timespec *ts);
void time_as_timespec_clamped(PyTime_t t, struct timespec *ts);
PyObject *time_as_int(PyTime_t t);
PyObject *time_as_float(PyTime_t t);
PyTime_t time_from_timespec(const struct timespec *ts);
/* Monotonic deadline, and what is left of it. */
PyTime_t time_deadline(PyTime_t timeout);
PyTime_t time_left(PyTime_t deadline);

/* Seconds since the epoch of an object, for utime and the like. */
int time_object_to_time_t(PyObject *o, time_t *seconds, TimeRound round);
int time_object_to_timespec(PyObject *o, time_t *seconds, long *nanoseconds, TimeRound round);
int time_object_to_timeval(PyObject *o, time_t *seconds, long *microseconds, TimeRound round);

#endif
