/* time: clocks, sleeping, broken-down time. Clocks and roundings are runtime/pytime.c's. */
#include "runtime/pytime.h"
#include "modules/sys_private.h"
#include "capi/args.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

typedef struct TimeState { PyTypeObject *struct_time; } TimeState;

#define NOARGS(name) static PyObject *time_##name(PyObject *self, PyObject *Py_UNUSED(ignored))

/* ---- clocks ----------------------------------------------------------------------------------------------------- */

#define CLOCK_PAIR(name, function) \
    NOARGS(name) { PyTime_t t; return function(&t) < 0 ? NULL : time_as_float(t); } \
    NOARGS(name##_ns) { PyTime_t t; return function(&t) < 0 ? NULL : time_as_int(t); }

static int read_clock(clockid_t clock, PyTime_t *t)
{
    struct timespec ts;
    if (clock_gettime(clock, &ts)) {
        PyErr_SetFromErrno(PyExc_OSError);
        return -1;
    }
    *t = time_from_timespec(&ts);
    return 0;
}

static int process_clock(PyTime_t *t) { return read_clock(CLOCK_PROCESS_CPUTIME_ID, t); }
static int thread_clock(PyTime_t *t) { return read_clock(CLOCK_THREAD_CPUTIME_ID, t); }

CLOCK_PAIR(time, PyTime_Time)
CLOCK_PAIR(monotonic, PyTime_Monotonic)
CLOCK_PAIR(perf_counter, PyTime_PerfCounter)
CLOCK_PAIR(process_time, process_clock)
CLOCK_PAIR(thread_time, thread_clock)

static int clock_argument(PyObject *o, clockid_t *clock)
{
    long long id = PyLong_AsLongLong(o);
    if (id == -1 && PyErr_Occurred()) {
        PyErr_Format(PyExc_TypeError, "clk_id should be integer, not %s", Py_TYPE(o)->tp_name);
        return -1;
    }
    *clock = (clockid_t)id;
    return 0;
}

BUILTIN_O(time, clock_gettime, "($module, clk_id, /)", "Return the time of the specified clock clk_id as a float.")
{
    clockid_t clock;
    PyTime_t t;
    return clock_argument(arg, &clock) < 0 || read_clock(clock, &t) < 0 ? NULL : time_as_float(t);
}

BUILTIN_O(time, clock_gettime_ns, "($module, clk_id, /)", "Return the time of the specified clock clk_id as nanoseconds (int).")
{
    clockid_t clock;
    PyTime_t t;
    return clock_argument(arg, &clock) < 0 || read_clock(clock, &t) < 0 ? NULL : time_as_int(t);
}

static PyObject *time_clock_getres(PyObject *Py_UNUSED(self), PyObject *args)
{
    int clock;
    struct timespec ts;
    if (!PyArg_ParseTuple(args, "i:clock_getres", &clock)) return NULL;
    if (clock_getres((clockid_t)clock, &ts)) return PyErr_SetFromErrno(PyExc_OSError);
    return PyFloat_FromDouble((double)ts.tv_sec + (double)ts.tv_nsec * 1e-9);
}

static PyObject *set_clock(int clock, PyTime_t t)
{
    struct timespec ts;
    time_as_timespec(t, &ts);
    if (clock_settime((clockid_t)clock, &ts)) return PyErr_SetFromErrno(PyExc_OSError);
    Py_RETURN_NONE;
}

static PyObject *time_clock_settime(PyObject *Py_UNUSED(self), PyObject *args)
{
    int clock;
    PyObject *value;
    PyTime_t t;
    if (!PyArg_ParseTuple(args, "iO:clock_settime", &clock, &value)) return NULL;
    return time_from_seconds_object(&t, value, ROUND_TIME_FLOOR) < 0 ? NULL : set_clock(clock, t);
}

static PyObject *time_clock_settime_ns(PyObject *Py_UNUSED(self), PyObject *args)
{
    int clock;
    PyObject *value;
    PyTime_t t;
    if (!PyArg_ParseTuple(args, "iO:clock_settime", &clock, &value)) return NULL;
    return time_from_nanoseconds_object(&t, value) < 0 ? NULL : set_clock(clock, t);
}

static PyObject *time_pthread_getcpuclockid(PyObject *Py_UNUSED(self), PyObject *args)
{
    clockid_t clock;
    PyObject *arg;
    if (!PyArg_ParseTuple(args, "O:pthread_getcpuclockid", &arg)) return NULL;
    if (!PyLong_Check(arg)) {
        PyErr_Format(PyExc_TypeError, "pthread_getcpuclockid() argument 1 must be int, not %.50s", Py_TYPE(arg)->tp_name);
        return NULL;
    }
    unsigned long thread = PyLong_AsUnsignedLongMask(arg);
    if (thread == (unsigned long)-1 && PyErr_Occurred()) return NULL;
    int error = pthread_getcpuclockid((pthread_t)thread, &clock);
    if (error) {
        errno = error;
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    return PyLong_FromLong(clock);
}

static PyObject *time_get_clock_info(PyObject *Py_UNUSED(self), PyObject *args)
{
    static const struct { const char *name, *shown; clockid_t clock; bool monotonic, adjustable; } clocks[] = {
        {"time", "clock_gettime(CLOCK_REALTIME)", CLOCK_REALTIME, false, true},
        {"monotonic", "clock_gettime(CLOCK_MONOTONIC)", CLOCK_MONOTONIC, true, false},
        {"perf_counter", "clock_gettime(CLOCK_MONOTONIC)", CLOCK_MONOTONIC, true, false},
        {"process_time", "clock_gettime(CLOCK_PROCESS_CPUTIME_ID)", CLOCK_PROCESS_CPUTIME_ID, true, false},
        {"thread_time", "clock_gettime(CLOCK_THREAD_CPUTIME_ID)", CLOCK_THREAD_CPUTIME_ID, true, false},
    };
    char *name;
    if (!PyArg_ParseTuple(args, "s:get_clock_info", &name)) return NULL;
    for (size_t i = 0; i < sizeof clocks / sizeof *clocks; i++) {
        struct timespec ts;
        if (strcmp(clocks[i].name, name)) continue;
        double resolution = clock_getres(clocks[i].clock, &ts) ? 1e-9 : (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
        PyObject *dict = Py_BuildValue("{sssOsOsd}", "implementation", clocks[i].shown, "monotonic", clocks[i].monotonic ? Py_True : Py_False,
                                       "adjustable", clocks[i].adjustable ? Py_True : Py_False, "resolution", resolution);
        PyObject *empty = dict ? PyTuple_New(0) : NULL;
        PyObject *result = empty ? PyObject_Call((PyObject *)&_PyNamespace_Type, empty, dict) : NULL;
        Py_XDECREF(empty);
        Py_XDECREF(dict);
        return result;
    }
    PyErr_SetString(PyExc_ValueError, "unknown clock");
    return NULL;
}

static PyObject *time_sleep(PyObject *Py_UNUSED(self), PyObject *arg)
{
    PyTime_t timeout;
    if (PySys_Audit("time.sleep", "O", arg) < 0) return NULL;
    if (time_from_seconds_object(&timeout, arg, ROUND_TIMEOUT) < 0) return NULL;
    if (timeout < 0) {
        PyErr_SetString(PyExc_ValueError, "sleep length must be non-negative");
        return NULL;
    }
    PyTime_t now;
    if (PyTime_Monotonic(&now) < 0) return NULL;
    struct timespec deadline;
    time_as_timespec_clamped(time_add(now, timeout), &deadline);
    for (;;) {
        int error;
        Py_BEGIN_ALLOW_THREADS
        error = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &deadline, NULL);
        Py_END_ALLOW_THREADS
        if (!error) Py_RETURN_NONE;
        if (error != EINTR) {
            errno = error;
            return PyErr_SetFromErrno(PyExc_OSError);
        }
        if (PyErr_CheckSignals()) return NULL;
    }
}

/* ---- struct_time ------------------------------------------------------------------------------------------------ */

static PyStructSequence_Field struct_time_fields[] = {
    {"tm_year", "year, for example, 1993"}, {"tm_mon", "month of year, range [1, 12]"}, {"tm_mday", "day of month, range [1, 31]"},
    {"tm_hour", "hours, range [0, 23]"}, {"tm_min", "minutes, range [0, 59]"}, {"tm_sec", "seconds, range [0, 61])"},
    {"tm_wday", "day of week, range [0, 6], Monday is 0"}, {"tm_yday", "day of year, range [1, 366]"},
    {"tm_isdst", "1 if summer time is in effect, 0 if not, and -1 if unknown"}, {"tm_zone", "abbreviation of timezone name"},
    {"tm_gmtoff", "offset from UTC in seconds"}, {0}
};
static PyStructSequence_Desc struct_time_desc = {
    "time.struct_time",
    "The time value as returned by gmtime(), localtime(), and strptime(), and\n"
    " accepted by asctime(), mktime() and strftime().  May be considered as a\n"
    " sequence of 9 integers.\n\n"
    " Note that several fields' values are not the same as those defined by\n"
    " the C language standard for struct tm.  For example, the value of the\n"
    " field tm_year is the actual year, not year - 1900.  See individual\n"
    " fields' descriptions for details.", struct_time_fields, 9
};

static PyObject *from_tm(TimeState *state, const struct tm *p)
{
    PyObject *v = PyStructSequence_New(state->struct_time);
    if (!v) return NULL;
    PyObject *values[] = {
        PyLong_FromLong(p->tm_year + 1900L), PyLong_FromLong(p->tm_mon + 1), PyLong_FromLong(p->tm_mday), PyLong_FromLong(p->tm_hour),
        PyLong_FromLong(p->tm_min), PyLong_FromLong(p->tm_sec), PyLong_FromLong((p->tm_wday + 6) % 7), PyLong_FromLong(p->tm_yday + 1),
        PyLong_FromLong(p->tm_isdst), PyUnicode_DecodeLocale(p->tm_zone ? p->tm_zone : "", "surrogateescape"), PyLong_FromLong(p->tm_gmtoff),
    };
    for (int i = 0; i < 11; i++) PyStructSequence_SetItem(v, i, values[i]);
    if (PyErr_Occurred()) Py_CLEAR(v);
    return v;
}

static int seconds_argument(PyObject *args, const char *format, time_t *when)
{
    PyObject *o = NULL;
    if (!PyArg_ParseTuple(args, format, &o)) return -1;
    if (!o || o == Py_None) {
        *when = time(NULL);
        return 0;
    }
    return time_object_to_time_t(o, when, ROUND_TIME_FLOOR);
}

static int break_down(time_t when, struct tm *tm, bool local)
{
    errno = 0;
    if (local ? localtime_r(&when, tm) : gmtime_r(&when, tm)) return 0;
    if (!errno) errno = EINVAL;
    PyErr_SetFromErrno(PyExc_OSError);
    return -1;
}

static PyObject *time_gmtime(PyObject *self, PyObject *args)
{
    time_t when;
    struct tm tm;
    if (seconds_argument(args, "|O:gmtime", &when) < 0 || break_down(when, &tm, false) < 0) return NULL;
    tm.tm_zone = "UTC";
    tm.tm_gmtoff = 0;
    return from_tm(PyModule_GetState(self), &tm);
}

static PyObject *time_localtime(PyObject *self, PyObject *args)
{
    time_t when;
    struct tm tm;
    if (seconds_argument(args, "|O:localtime", &when) < 0 || break_down(when, &tm, true) < 0) return NULL;
    return from_tm(PyModule_GetState(self), &tm);
}

/* A tuple or struct_time -> struct tm. false with an exception. */
static bool to_tm(TimeState *state, PyObject *args, struct tm *p, const char *format, const char *function)
{
    int year;
    memset(p, 0, sizeof *p);
    if (!PyTuple_Check(args)) {
        PyErr_SetString(PyExc_TypeError, "Tuple or struct_time argument required");
        return false;
    }
    PyObject *plain = Py_IS_TYPE(args, state->struct_time) ? PyTuple_GetSlice(args, 0, 9) : Py_NewRef(args);
    if (!plain) return false;
    bool good = false;
    if (PyTuple_GET_SIZE(plain) != 9) PyErr_Format(PyExc_TypeError, "%s: illegal time tuple argument", function);
    else good = PyArg_ParseTuple(plain, format, &year, &p->tm_mon, &p->tm_mday, &p->tm_hour, &p->tm_min, &p->tm_sec, &p->tm_wday,
                                 &p->tm_yday, &p->tm_isdst);
    Py_DECREF(plain);
    if (!good) return false;
    if (__builtin_sub_overflow(year, 1900, &p->tm_year)) {
        PyErr_SetString(PyExc_OverflowError, "year out of range");
        return false;
    }
    p->tm_mon--;
    p->tm_wday = (p->tm_wday + 1) % 7;
    p->tm_yday--;
    if (Py_IS_TYPE(args, state->struct_time)) {
        PyObject *zone = PyStructSequence_GetItem(args, 9), *offset = PyStructSequence_GetItem(args, 10);
        if (zone && zone != Py_None) {
            const char *text = PyUnicode_AsUTF8(zone);
            if (!text) return false;
            p->tm_zone = text;
        }
        if (offset && offset != Py_None) {
            p->tm_gmtoff = PyLong_AsLong(offset);
            if (PyErr_Occurred()) return false;
        }
    }
    return true;
}

/* Values that the C library could index arrays with. Zero is allowed where programs are used to leave it. */
static bool check_tm(struct tm *p)
{
    const char *what = NULL;
    if (p->tm_mon == -1) p->tm_mon = 0;
    else if (p->tm_mon < 0 || p->tm_mon > 11) what = "month out of range";
    if (p->tm_mday == 0) p->tm_mday = 1;
    else if (!what && (p->tm_mday < 0 || p->tm_mday > 31)) what = "day of month out of range";
    if (!what && (p->tm_hour < 0 || p->tm_hour > 23)) what = "hour out of range";
    if (!what && (p->tm_min < 0 || p->tm_min > 59)) what = "minute out of range";
    if (!what && (p->tm_sec < 0 || p->tm_sec > 61)) what = "seconds out of range";
    if (!what && p->tm_wday < 0) what = "day of week out of range";
    if (p->tm_yday == -1) p->tm_yday = 0;
    else if (!what && (p->tm_yday < 0 || p->tm_yday > 365)) what = "day of year out of range";
    if (!what) return true;
    PyErr_SetString(PyExc_ValueError, what);
    return false;
}

static PyObject *asctime_text(const struct tm *p)
{
    static const char days[7][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
    static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
    return PyUnicode_FromFormat("%s %s%3d %.2d:%.2d:%.2d %d", days[p->tm_wday], months[p->tm_mon], p->tm_mday, p->tm_hour, p->tm_min,
                                p->tm_sec, 1900 + p->tm_year);
}

static PyObject *time_asctime(PyObject *self, PyObject *args)
{
    TimeState *state = PyModule_GetState(self);
    PyObject *tuple = NULL;
    struct tm tm;
    if (!PyArg_UnpackTuple(args, "asctime", 0, 1, &tuple)) return NULL;
    if (!tuple) {
        if (break_down(time(NULL), &tm, true) < 0) return NULL;
    }
    else if (!to_tm(state, tuple, &tm, "iiiiiiiii;asctime(): illegal time tuple argument", "asctime()") || !check_tm(&tm)) return NULL;
    return asctime_text(&tm);
}

static PyObject *time_ctime(PyObject *Py_UNUSED(self), PyObject *args)
{
    time_t when;
    struct tm tm;
    if (seconds_argument(args, "|O:ctime", &when) < 0 || break_down(when, &tm, true) < 0) return NULL;
    return asctime_text(&tm);
}

static PyObject *time_mktime(PyObject *self, PyObject *arg)
{
    struct tm tm;
    if (!to_tm(PyModule_GetState(self), arg, &tm, "iiiiiiiii;mktime(): illegal time tuple argument", "mktime()")) return NULL;
    tm.tm_wday = -1;                        /* stays so when mktime fails: -1 alone is a valid time */
    time_t when = mktime(&tm);
    if (when == (time_t)-1 && tm.tm_wday == -1) {
        PyErr_SetString(PyExc_OverflowError, "mktime argument out of range");
        return NULL;
    }
    return PyFloat_FromDouble((double)when);
}

/* ---- strftime --------------------------------------------------------------------------------------------------- */

/* One directive ("%-5Y"), appended to the writer. */
static int write_directive(_PyUnicodeWriter *writer, const char *directive, size_t length, const struct tm *tm)
{
    char format[64], small[256], *buffer = small;
    size_t size = sizeof small;
    if (length + 2 > sizeof format) return _PyUnicodeWriter_WriteASCIIString(writer, directive, (Py_ssize_t)length);
    format[0] = ' ';                        /* an empty result can be told from a full buffer */
    memcpy(format + 1, directive, length);
    format[length + 1] = 0;
    for (;;) {
        size_t n = strftime(buffer, size, format, tm);
        if (n) {
            PyObject *text = PyUnicode_DecodeLocale(buffer + 1, "surrogateescape");
            int status = text ? _PyUnicodeWriter_WriteStr(writer, text) : -1;
            Py_XDECREF(text);
            if (buffer != small) PyMem_Free(buffer);
            return status;
        }
        if (buffer != small) PyMem_Free(buffer);
        if (size >= 1 << 16) return 0;
        size *= 4;
        if (!(buffer = PyMem_Malloc(size))) {
            PyErr_NoMemory();
            return -1;
        }
    }
}

/* Everything that is no directive is copied: NULs and characters that the locale lacks included. */
static PyObject *format_time(PyObject *format, const struct tm *tm)
{
    Py_ssize_t length = PyUnicode_GET_LENGTH(format), start = 0;
    _PyUnicodeWriter writer;
    _PyUnicodeWriter_Init(&writer);
    writer.overallocate = 1;
    for (Py_ssize_t i = 0; i < length;) {
        if (PyUnicode_READ_CHAR(format, i) != '%') { i++; continue; }
        char directive[40];
        size_t n = 0;
        Py_ssize_t k = i;
        directive[n++] = '%';
        for (k++; k < length && n + 2 < sizeof directive; k++) {
            Py_UCS4 c = PyUnicode_READ_CHAR(format, k);
            if (c == 0 || c >= 128) break;
            directive[n++] = (char)c;
            if (!strchr("_-0^#+123456789EO:", (int)c)) break;
        }
        bool complete = k < length && PyUnicode_READ_CHAR(format, k) && PyUnicode_READ_CHAR(format, k) < 128 && n + 2 < sizeof directive;
        if (!complete) { i++; continue; }
        if (start < i && _PyUnicodeWriter_WriteSubstring(&writer, format, start, i) < 0) goto error;
        if (write_directive(&writer, directive, n, tm) < 0) goto error;
        start = i = k + 1;
    }
    if (start < length && _PyUnicodeWriter_WriteSubstring(&writer, format, start, length) < 0) goto error;
    return _PyUnicodeWriter_Finish(&writer);
error:
    _PyUnicodeWriter_Dealloc(&writer);
    return NULL;
}

static PyObject *time_strftime(PyObject *self, PyObject *args)
{
    TimeState *state = PyModule_GetState(self);
    PyObject *tuple = NULL, *format;
    struct tm tm;
    if (!PyArg_ParseTuple(args, "U|O:strftime", &format, &tuple)) return NULL;
    if (!tuple) {
        if (break_down(time(NULL), &tm, true) < 0) return NULL;
    }
    else if (!to_tm(state, tuple, &tm, "iiiiiiiii;strftime(): illegal time tuple argument", "strftime()") || !check_tm(&tm)) return NULL;
    if (tm.tm_isdst < -1) tm.tm_isdst = -1;
    else if (tm.tm_isdst > 1) tm.tm_isdst = 1;
    return format_time(format, &tm);
}

static PyObject *time_strptime(PyObject *Py_UNUSED(self), PyObject *args)
{
    PyObject *module = PyImport_ImportModule("_strptime");
    PyObject *function = module ? PyObject_GetAttrString(module, "_strptime_time") : NULL;
    PyObject *result = function ? PyObject_Call(function, args, NULL) : NULL;
    Py_XDECREF(module);
    Py_XDECREF(function);
    return result;
}

/* ---- time zones ------------------------------------------------------------------------------------------------- */

/* timezone, altzone, daylight, tzname: of a winter and a summer day of this year. */
static int set_zone(PyObject *module)
{
    static const time_t year = (365 * 24 + 6) * 3600;
    time_t now = (time(NULL) / year) * year;
    struct tm january, july;
    if (!localtime_r(&now, &january)) { PyErr_SetFromErrno(PyExc_OSError); return -1; }
    char january_name[32], july_name[32];
    long january_zone = -january.tm_gmtoff;
    snprintf(january_name, sizeof january_name, "%.9s", january.tm_zone ? january.tm_zone : "   ");
    now += year / 2;
    if (!localtime_r(&now, &july)) { PyErr_SetFromErrno(PyExc_OSError); return -1; }
    long july_zone = -july.tm_gmtoff;
    snprintf(july_name, sizeof july_name, "%.9s", july.tm_zone ? july.tm_zone : "   ");
    bool southern = january_zone < july_zone;               /* summer in January: the names are the other way round */
    PyObject *first = PyUnicode_DecodeLocale(southern ? july_name : january_name, "surrogateescape");
    PyObject *second = PyUnicode_DecodeLocale(southern ? january_name : july_name, "surrogateescape");
    PyObject *names = first && second ? PyTuple_Pack(2, first, second) : NULL;
    Py_XDECREF(first);
    Py_XDECREF(second);
    if (!names) return -1;
    int status = PyModule_AddIntConstant(module, "timezone", southern ? july_zone : january_zone) < 0 ||
                 PyModule_AddIntConstant(module, "altzone", southern ? january_zone : july_zone) < 0 ||
                 PyModule_AddIntConstant(module, "daylight", january_zone != july_zone) < 0 ||
                 PyModule_AddObjectRef(module, "tzname", names) < 0 ? -1 : 0;
    Py_DECREF(names);
    return status;
}

NOARGS(tzset)
{
    tzset();
    if (set_zone(self) < 0) return NULL;
    Py_RETURN_NONE;
}

/* ---- the module ------------------------------------------------------------------------------------------------- */

#define CLOCK(name, text) {#name, time_##name, METH_NOARGS, #name "($self, /)\n--\n\n" text}
static PyMethodDef time_methods[] = {
    CLOCK(time, "time() -> floating-point number\n\nReturn the current time in seconds since the Epoch.\n"
                "Fractions of a second may be present if the system clock provides them."),
    CLOCK(time_ns, "time_ns() -> int\n\nReturn the current time in nanoseconds since the Epoch."),
    METHOD(time, clock_gettime), METHOD(time, clock_gettime_ns),
    {"clock_settime", time_clock_settime, METH_VARARGS, "clock_settime(clk_id, time)\n\nSet the time of the specified clock clk_id."},
    {"clock_settime_ns", time_clock_settime_ns, METH_VARARGS,
     "clock_settime_ns(clk_id, time)\n\nSet the time of the specified clock clk_id with nanoseconds."},
    {"clock_getres", time_clock_getres, METH_VARARGS,
     "clock_getres(clk_id) -> floating-point number\n\nReturn the resolution (precision) of the specified clock clk_id."},
    {"pthread_getcpuclockid", time_pthread_getcpuclockid, METH_VARARGS,
     "pthread_getcpuclockid(thread_id) -> int\n\nReturn the clk_id of a thread's CPU time clock."},
    {"sleep", time_sleep, METH_O,
     "sleep($self, object, /)\n--\n\nsleep(seconds)\n\nDelay execution for a given number of seconds.  The argument may be\n"
     "a floating-point number for subsecond precision."},
    {"gmtime", time_gmtime, METH_VARARGS,
     "gmtime([seconds]) -> (tm_year, tm_mon, tm_mday, tm_hour, tm_min,\n                       tm_sec, tm_wday, tm_yday, tm_isdst)\n\n"
     "Convert seconds since the Epoch to a time tuple expressing UTC (a.k.a.\nGMT).  Without seconds: the current time."},
    {"localtime", time_localtime, METH_VARARGS,
     "localtime([seconds]) -> (tm_year,tm_mon,tm_mday,tm_hour,tm_min,\n                          tm_sec,tm_wday,tm_yday,tm_isdst)\n\n"
     "Convert seconds since the Epoch to a time tuple expressing local time.\nWithout seconds: the current time."},
    {"asctime", time_asctime, METH_VARARGS,
     "asctime([tuple]) -> string\n\nConvert a time tuple to a string, e.g. 'Sat Jun 06 16:26:11 1998'.\n"
     "When the time tuple is not present, current time as returned by localtime()\nis used."},
    {"ctime", time_ctime, METH_VARARGS,
     "ctime(seconds) -> string\n\nConvert a time in seconds since the Epoch to a string in local time.\n"
     "This is equivalent to asctime(localtime(seconds)). When the time tuple is\nnot present, current time as returned by localtime() is used."},
    {"mktime", time_mktime, METH_O,
     "mktime($self, object, /)\n--\n\nmktime(tuple) -> floating-point number\n\nConvert a time tuple in local time to seconds since the Epoch."},
    {"strftime", time_strftime, METH_VARARGS,
     "strftime(format[, tuple]) -> string\n\nConvert a time tuple to a string according to a format specification.\n"
     "See the library reference manual for formatting codes. When the time tuple\nis not present, current time as returned by localtime() is used."},
    {"strptime", time_strptime, METH_VARARGS,
     "strptime(string, format) -> struct_time\n\nParse a string to a time tuple according to a format specification.\n"
     "See the library reference manual for formatting codes (same as\nstrftime())."},
    CLOCK(tzset, "tzset()\n\nInitialize, or reinitialize, the local timezone to the value stored in\n"
                 "os.environ['TZ']. The TZ environment variable should be specified in\nstandard Unix timezone format."),
    CLOCK(monotonic, "monotonic() -> float\n\nMonotonic clock, cannot go backward."),
    CLOCK(monotonic_ns, "monotonic_ns() -> int\n\nMonotonic clock, cannot go backward, as nanoseconds."),
    CLOCK(process_time, "process_time() -> float\n\nProcess time for profiling: sum of the kernel and user-space CPU time."),
    CLOCK(process_time_ns, "process_time() -> int\n\nProcess time for profiling as nanoseconds:\nsum of the kernel and user-space CPU time."),
    CLOCK(thread_time, "thread_time() -> float\n\nThread time for profiling: sum of the kernel and user-space CPU time."),
    CLOCK(thread_time_ns, "thread_time() -> int\n\nThread time for profiling as nanoseconds:\nsum of the kernel and user-space CPU time."),
    CLOCK(perf_counter, "perf_counter() -> float\n\nPerformance counter for benchmarking."),
    CLOCK(perf_counter_ns, "perf_counter_ns() -> int\n\nPerformance counter for benchmarking as nanoseconds."),
    {"get_clock_info", time_get_clock_info, METH_VARARGS, "get_clock_info(name: str) -> dict\n\nGet information of the specified clock."},
    {0}
};

static int time_exec(PyObject *module)
{
    static const struct { const char *name; int value; } constants[] = {
        {"_STRUCT_TM_ITEMS", 11}, {"CLOCK_REALTIME", CLOCK_REALTIME}, {"CLOCK_MONOTONIC", CLOCK_MONOTONIC},
        {"CLOCK_MONOTONIC_RAW", CLOCK_MONOTONIC_RAW}, {"CLOCK_PROCESS_CPUTIME_ID", CLOCK_PROCESS_CPUTIME_ID},
        {"CLOCK_THREAD_CPUTIME_ID", CLOCK_THREAD_CPUTIME_ID}, {"CLOCK_BOOTTIME", CLOCK_BOOTTIME}, {"CLOCK_TAI", CLOCK_TAI},
    };
    TimeState *state = PyModule_GetState(module);
    if (set_zone(module) < 0) return -1;
    for (size_t i = 0; i < sizeof constants / sizeof *constants; i++)
        if (PyModule_AddIntConstant(module, constants[i].name, constants[i].value) < 0) return -1;
    if (!(state->struct_time = PyStructSequence_NewType(&struct_time_desc))) return -1;
    return PyModule_AddObjectRef(module, "struct_time", (PyObject *)state->struct_time);
}

static int time_traverse(PyObject *module, visitproc visit, void *arg)
{
    TimeState *state = PyModule_GetState(module);
    if (state) Py_VISIT(state->struct_time);
    return 0;
}

static int time_clear(PyObject *module)
{
    TimeState *state = PyModule_GetState(module);
    if (state) Py_CLEAR(state->struct_time);
    return 0;
}

static PyModuleDef_Slot time_slots[] = {
    {Py_mod_exec, (void *)time_exec}, {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED}, {0, NULL}
};

static PyModuleDef time_module = {
    PyModuleDef_HEAD_INIT, .m_name = "time",
    .m_doc = "Functions to read clocks, to sleep, and to convert times.\n\n"
             "A time is either seconds since the Epoch (January 1, 1970, 00:00:00 UTC) or a tuple of nine integers:\n"
             "year, month (1-12), day (1-31), hours, minutes, seconds (0-59), weekday (0-6, Monday is 0),\n"
             "day in the year (1-366), daylight saving time (-1 guess, 0 no, 1 yes).\n",
    .m_size = sizeof(TimeState), .m_methods = time_methods, .m_slots = time_slots, .m_traverse = time_traverse, .m_clear = time_clear,
};

PyMODINIT_FUNC PyInit_time(void) { return PyModuleDef_Init(&time_module); }
