/* What the files of _datetime share: the objects' layouts are those of datetime.h, everything here is how they are made and read.
 *
 * The six types are static built-in types, shared by all interpreters; so are the constants (min, max, resolution, utc), which
 * are static immortal objects. There is no module state. Instances are never collectable; a value without tzinfo is allocated
 * without room for one, and hastzinfo says which. */
#ifndef TAIPAN_DATETIME_PRIVATE_H
#define TAIPAN_DATETIME_PRIVATE_H

#include "runtime/state.h"
#include "memory/alloc.h"
#include "runtime/pytime.h"
#include "capi/args.h"
#include "modules/support.h"

#define _PY_DATETIME_IMPL
#include <datetime.h>

typedef PyDateTime_Date Date;
typedef PyDateTime_Time Time;
typedef PyDateTime_DateTime DateTime;
typedef PyDateTime_Delta Delta;

typedef struct TimeZone {
    PyObject_HEAD
    PyObject *offset;                    /* timedelta */
    PyObject *name;                      /* str or NULL */
} TimeZone;

extern PyTypeObject date_type, time_type, datetime_type, timedelta_type, tzinfo_type, timezone_type, iso_calendar_type;
extern Delta delta_zero, delta_microsecond, delta_day, delta_min, delta_max;
extern TimeZone timezone_utc;
extern DateTime datetime_epoch;

#define DATE(o)     ((Date *)(o))
#define TIME(o)     ((Time *)(o))
#define DATETIME(o) ((DateTime *)(o))
#define DELTA(o)    ((Delta *)(o))
#define TIMEZONE(o) ((TimeZone *)(o))

enum { YEAR_MIN = 1, YEAR_MAX = 9999, ORDINAL_MAX = 3652059, DELTA_DAYS_MAX = 999999999, SECONDS_A_DAY = 86400 };
#define MICROSECONDS_A_DAY INT64_C(86400000000)

typedef __int128 Wide;                   /* microseconds of any product of a timedelta and a 53-bit number */

static inline bool is_date(PyObject *o)     { return PyObject_TypeCheck(o, &date_type); }
static inline bool is_datetime(PyObject *o) { return PyObject_TypeCheck(o, &datetime_type); }
static inline bool is_time(PyObject *o)     { return PyObject_TypeCheck(o, &time_type); }
static inline bool is_delta(PyObject *o)    { return PyObject_TypeCheck(o, &timedelta_type); }
static inline bool is_tzinfo(PyObject *o)   { return PyObject_TypeCheck(o, &tzinfo_type); }

/* ---- fields as numbers ---------------------------------------------------------------------------------------------- */

typedef struct Moment {                  /* any of a date, a time, both */
    int year, month, day, hour, minute, second, microsecond, fold;
} Moment;

static inline Moment date_moment(PyObject *o)
{
    return (Moment){ .year = PyDateTime_GET_YEAR(o), .month = PyDateTime_GET_MONTH(o), .day = PyDateTime_GET_DAY(o) };
}

static inline Moment datetime_moment(PyObject *o)
{
    return (Moment){ PyDateTime_GET_YEAR(o), PyDateTime_GET_MONTH(o), PyDateTime_GET_DAY(o), PyDateTime_DATE_GET_HOUR(o),
                     PyDateTime_DATE_GET_MINUTE(o), PyDateTime_DATE_GET_SECOND(o), PyDateTime_DATE_GET_MICROSECOND(o),
                     PyDateTime_DATE_GET_FOLD(o) };
}

static inline Moment time_moment(PyObject *o)
{
    return (Moment){ .hour = PyDateTime_TIME_GET_HOUR(o), .minute = PyDateTime_TIME_GET_MINUTE(o), .second = PyDateTime_TIME_GET_SECOND(o),
                     .microsecond = PyDateTime_TIME_GET_MICROSECOND(o), .fold = PyDateTime_TIME_GET_FOLD(o) };
}

/* BORROWED; None for a naive value. */
static inline PyObject *datetime_zone(PyObject *o) { return PyDateTime_DATE_GET_TZINFO(o); }
static inline PyObject *time_zone(PyObject *o)     { return PyDateTime_TIME_GET_TZINFO(o); }

static inline Wide delta_microseconds(PyObject *o)
{
    return (Wide)DELTA(o)->days * MICROSECONDS_A_DAY + (int64_t)DELTA(o)->seconds * 1000000 + DELTA(o)->microseconds;
}

/* An exact int of one digit. */
static inline bool small_int_value(PyObject *o, int *value)
{
    if (!PyLong_CheckExact(o) || !PyUnstable_Long_IsCompact((PyLongObject *)o)) return false;
    *value = (int)PyUnstable_Long_CompactValue((PyLongObject *)o);
    return true;
}

/* ---- calendar.c: the proleptic Gregorian calendar ------------------------------------------------------------------- */

bool calendar_is_leap(int year);
int calendar_days_in_month(int year, int month);
int calendar_days_before_month(int year, int month);
int calendar_ordinal(int year, int month, int day);                     /* 1 is 0001-01-01 */
void calendar_from_ordinal(int ordinal, int *year, int *month, int *day);
int calendar_weekday(int year, int month, int day);                     /* Monday is 0 */
int calendar_iso_monday(int year);                                      /* ordinal of the Monday of week 1 */
/* 0; -2: no such week, -3: no such day, -4: year out of range. */
int calendar_from_iso(int iso_year, int week, int weekday, int *year, int *month, int *day);
int64_t calendar_seconds(const Moment *m);                              /* since 0001-01-01, as a count from ordinal 0 */
#define EPOCH_SECONDS (INT64_C(719163) * SECONDS_A_DAY)                 /* calendar_seconds of 1970-01-01 */
/* Moves m by days, seconds and microseconds; -1 with OverflowError outside the years 1 to 9999. */
int calendar_shift(Moment *m, int64_t days, int64_t seconds, int64_t microseconds);
int calendar_check_date(int year, int month, int day);                  /* -1 with ValueError */
int calendar_check_time(const Moment *m);
/* Solves the local time m for seconds since year 1. -1 with an exception. */
int calendar_from_local(const Moment *m, int64_t *seconds);
int calendar_to_local(int64_t utc_seconds, int64_t *local_seconds);
int platform_localtime(time_t t, struct tm *tm);                        /* -1 with OSError or OverflowError */
int platform_gmtime(time_t t, struct tm *tm);

/* ---- constructors: type exactly ours makes the object at once, a subclass is called -------------------------------------- */

PyObject *date_make(PyTypeObject *type, int year, int month, int day);                     /* checks the fields */
PyObject *date_make_subclass(PyObject *cls, int year, int month, int day);
PyObject *datetime_make(PyTypeObject *type, const Moment *m, PyObject *tzinfo);            /* checks the fields */
PyObject *datetime_make_subclass(PyObject *cls, const Moment *m, PyObject *tzinfo);
PyObject *time_make(PyTypeObject *type, const Moment *m, PyObject *tzinfo);                /* checks the fields */
PyObject *time_make_subclass(PyObject *cls, const Moment *m, PyObject *tzinfo);
/* Days, seconds and microseconds already in their ranges; -1 days outside raise OverflowError. */
PyObject *delta_make(PyTypeObject *type, int64_t days, int seconds, int microseconds);
PyObject *delta_make_carrying(int64_t days, int64_t seconds, int64_t microseconds);        /* normalises */
PyObject *delta_from_wide(PyTypeObject *type, Wide microseconds);
int delta_compare(PyObject *a, PyObject *b);                                               /* -1, 0, 1 */
static inline bool delta_is_true(PyObject *o) { return DELTA(o)->days || DELTA(o)->seconds || DELTA(o)->microseconds; }
PyObject *timezone_make(PyObject *offset, PyObject *name);                                 /* checks the offset; utc when it can */
PyObject *timezone_offset_name(PyObject *offset);                                          /* "UTC+hh:mm" */

/* tp_new with the arguments of a vectorcall. */
PyObject *vectorcall_new(PyObject *type, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames);
PyObject *date_fromtimestamp_tuple(PyObject *cls, PyObject *args);
PyObject *datetime_fromtimestamp(PyObject *cls, PyObject *args, PyObject *kwargs);

/* ---- zones -------------------------------------------------------------------------------------------------------------- */

int tzinfo_check(PyObject *o);                                           /* None or a tzinfo; else -1 with TypeError */
/* None or a timedelta less than a day. argument: what the method gets (a datetime, or None from a time). */
PyObject *tzinfo_utcoffset(PyObject *tzinfo, PyObject *argument);
PyObject *tzinfo_dst(PyObject *tzinfo, PyObject *argument);
PyObject *tzinfo_tzname(PyObject *tzinfo, PyObject *argument);
PyObject *tzinfo_fromutc(PyObject *tzinfo, PyObject *when);              /* calls the method fromutc */
PyObject *datetime_utcoffset_of(PyObject *self);
PyObject *datetime_add_delta(PyObject *self, PyObject *delta, int sign);

/* ---- text ---------------------------------------------------------------------------------------------------------------- */

enum { ISO_AUTO, ISO_HOURS, ISO_MINUTES, ISO_SECONDS, ISO_MILLISECONDS, ISO_MICROSECONDS, OFFSET_TEXT_MAX = 24 };
char *text_iso_date(char *at, const Moment *m);                          /* YYYY-MM-DD */
char *text_iso_time(char *at, const Moment *m, int precision);           /* HH:MM:SS.ffffff */
int timespec_argument(PyObject *name, int position, int *precision);     /* -1 with an exception */
char *text_offset(char *at, PyObject *offset, const char *separator);    /* +HH:MM[:SS[.ffffff]] */
/* Adds tzinfo's offset unless that is None; NULL with an exception. at has room for OFFSET_TEXT_MAX. */
char *text_zone_offset(char *at, PyObject *tzinfo, PyObject *argument, const char *separator);
PyObject *text_strftime(PyObject *self, PyObject *format, PyObject *timetuple, PyObject *tzinfo_argument);
PyObject *text_format(PyObject *self, PyObject *args);                   /* __format__ of all three */
PyObject *text_with_zone(PyObject *repr, int fold, PyObject *tzinfo);    /* STEALS repr; adds ", fold=1, tzinfo=...)" */
PyObject *text_ctime(const Moment *m);
PyObject *text_struct_time(const Moment *m, int isdst);                  /* a time.struct_time */

/* parse.c. Text of ISO 8601; 0, or -1 without an exception. zone: 1 when an offset stood there. */
typedef struct IsoTime { Moment m; bool zone; int offset, offset_microsecond; } IsoTime;
PyObject *parse_date_argument(PyObject *cls, PyObject *text);            /* fromisoformat of the three */
PyObject *parse_time_argument(PyObject *cls, PyObject *text);
PyObject *parse_datetime_argument(PyObject *cls, PyObject *text);

/* ---- methods that several types share ------------------------------------------------------------------------------------- */

Py_hash_t hash_bytes(const unsigned char *data, Py_ssize_t length);
PyObject *compare_result(int difference, int op);
/* The state a pickle calls the class with: bytes, or a str of the same length from Python 2. place: the byte that must make sense
 * (2: a month, 0: an hour, after masking). 1: *state is NEW; 0: this is no state; -1: exception. */
int pickle_state(PyObject *first, Py_ssize_t length, int place, int mask, const char *what, PyObject **state);
/* The value of an argument that must be an int. 0 or -1. */
int field_argument(PyObject *o, int *value);
/* The current time, rounded down to microseconds. */
void clock_now(int64_t *seconds, int *microseconds);

/* Methods whose text shows no signature, as in CPython: with METHOD_TEXT the text is what follows the signature of BUILTIN. */
#define METHOD_TEXT(owner, name, extra, sig) \
    { #name, (PyCFunction)(void (*)(void))owner##_##name, (int)owner##_##name##_flags | (extra), \
      owner##_##name##_doc + sizeof(#name sig "\n--\n\n") - 1 }
#define METHOD_TUPLE(owner, name, extra, text) { #name, (PyCFunction)(void (*)(void))owner##_##name, METH_VARARGS | (extra), PyDoc_STR(text) }
#define METHOD_DICT(owner, name, extra, text) \
    { #name, (PyCFunction)(void (*)(void))owner##_##name, METH_VARARGS | METH_KEYWORDS | (extra), PyDoc_STR(text) }

#endif
