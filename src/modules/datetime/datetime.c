/* datetime: a date and a time of day in ten bytes, with or without a zone. */
#include "datetime_private.h"

DateTime datetime_epoch = { PyObject_HEAD_INIT(&datetime_type) .hashcode = -1, .hastzinfo = 1, .data = { 1970 >> 8, 1970 & 255, 1, 1 },
                            .tzinfo = (PyObject *)&timezone_utc };

/* ---- making --------------------------------------------------------------------------------------------------------------------- */

static PyObject *datetime_alloc(PyTypeObject *type, PyObject *tzinfo)
{
    bool aware = tzinfo != Py_None;
    DateTime *self = (DateTime *)(type == &datetime_type
                                  ? object_alloc(thread_get(), type, aware ? sizeof(DateTime) : offsetof(DateTime, tzinfo))
                                  : type->tp_alloc(type, aware));
    if (UNLIKELY(!self)) return NULL;
    self->hashcode = -1;
    self->hastzinfo = aware;
    self->fold = 0;
    if (aware) self->tzinfo = Py_NewRef(tzinfo);
    return (PyObject *)self;
}

static void datetime_set(DateTime *self, const Moment *m)
{
    self->data[0] = (unsigned char)(m->year >> 8);
    self->data[1] = (unsigned char)m->year;
    self->data[2] = (unsigned char)m->month;
    self->data[3] = (unsigned char)m->day;
    self->data[4] = (unsigned char)m->hour;
    self->data[5] = (unsigned char)m->minute;
    self->data[6] = (unsigned char)m->second;
    self->data[7] = (unsigned char)(m->microsecond >> 16);
    self->data[8] = (unsigned char)(m->microsecond >> 8);
    self->data[9] = (unsigned char)m->microsecond;
    self->fold = (unsigned char)m->fold;
}

PyObject *datetime_make(PyTypeObject *type, const Moment *m, PyObject *tzinfo)
{
    if (calendar_check_date(m->year, m->month, m->day) < 0 || calendar_check_time(m) < 0 || tzinfo_check(tzinfo) < 0) return NULL;
    PyObject *self = datetime_alloc(type, tzinfo);
    if (LIKELY(self)) datetime_set(DATETIME(self), m);
    return self;
}

PyObject *datetime_make_subclass(PyObject *cls, const Moment *m, PyObject *tzinfo)
{
    if (cls == (PyObject *)&datetime_type) return datetime_make(&datetime_type, m, tzinfo);
    PyObject *self = PyObject_CallFunction(cls, "iiiiiiiO", m->year, m->month, m->day, m->hour, m->minute, m->second, m->microsecond, tzinfo);
    if (self && m->fold && is_datetime(self)) DATETIME(self)->fold = (unsigned char)m->fold;
    return self;
}

static PyObject *datetime_from_pickle(PyTypeObject *type, PyObject *state, PyObject *tzinfo)
{
    if (tzinfo != Py_None && !is_tzinfo(tzinfo)) return PyErr_Format(PyExc_TypeError, "bad tzinfo state arg");
    PyObject *self = datetime_alloc(type, tzinfo);
    if (!self) return NULL;
    memcpy(DATETIME(self)->data, PyBytes_AS_STRING(state), _PyDateTime_DATETIME_DATASIZE);
    DATETIME(self)->fold = DATETIME(self)->data[2] >> 7;
    DATETIME(self)->data[2] &= 0x7F;
    return self;
}

static PyObject *datetime_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = { "year", "month", "day", "hour", "minute", "second", "microsecond", "tzinfo", "fold", NULL };
    Py_ssize_t n = PyTuple_GET_SIZE(args);
    PyObject *tzinfo = Py_None;
    Moment m = {0};
    if (n == 1 || n == 2) {
        PyObject *state;
        int found = pickle_state(PyTuple_GET_ITEM(args, 0), _PyDateTime_DATETIME_DATASIZE, 2, 0x7F, "datetime", &state);
        if (found < 0) return NULL;
        if (found) {
            PyObject *self = datetime_from_pickle(type, state, n == 2 ? PyTuple_GET_ITEM(args, 1) : Py_None);
            Py_DECREF(state);
            return self;
        }
    }
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "iii|iiiiO$i", keywords, &m.year, &m.month, &m.day, &m.hour, &m.minute, &m.second,
                                     &m.microsecond, &tzinfo, &m.fold)) return NULL;
    return datetime_make(type, &m, tzinfo);
}

static PyObject *datetime_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf), keywords = kwnames ? PyTuple_GET_SIZE(kwnames) : 0;
    if (LIKELY(nargs >= 3 && nargs <= 8 - keywords &&
               (keywords == 0 || (keywords == 1 && nargs < 8 && PyTuple_GET_ITEM(kwnames, 0) == STR(tzinfo))))) {
        int field[7] = {0};
        Py_ssize_t ints = Py_MIN(nargs, 7), i = 0;
        while (i < ints && small_int_value(args[i], &field[i])) i++;
        if (LIKELY(i == ints)) {
            Moment m = { field[0], field[1], field[2], field[3], field[4], field[5], field[6], 0 };
            return datetime_make((PyTypeObject *)type, &m, nargs == 8 || keywords ? args[nargs == 8 ? 7 : nargs] : Py_None);
        }
    }
    return vectorcall_new(type, args, nargs, kwnames);
}

static void datetime_dealloc(PyObject *self)
{
    if (DATETIME(self)->hastzinfo) Py_XDECREF(DATETIME(self)->tzinfo);
    Py_TYPE(self)->tp_free(self);
}

/* ---- from timestamps ---------------------------------------------------------------------------------------------------------------- */

/* local: as local time, with the fold told by looking a day back for a change of the offset. */
static PyObject *from_time_t(PyObject *cls, time_t t, int microsecond, bool local, PyObject *tzinfo)
{
    enum { WINDOW = 24 * 3600 };
    struct tm tm;
    if ((local ? platform_localtime(t, &tm) : platform_gmtime(t, &tm)) < 0) return NULL;
    Moment m = { tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, Py_MIN(59, tm.tm_sec), microsecond, 0 };
    if (local && tzinfo == Py_None) {
        int64_t now, probe, base = EPOCH_SECONDS + (int64_t)t;
        if (m.year < YEAR_MIN || m.year > YEAR_MAX) return PyErr_Format(PyExc_ValueError, "year %i is out of range", m.year);
        now = calendar_seconds(&m);
        if (calendar_to_local(base - WINDOW, &probe) < 0) return NULL;
        int64_t transition = now - probe - WINDOW;
        if (transition < 0) {
            if (calendar_to_local(base + transition, &probe) < 0) return NULL;
            m.fold = probe == now;
        }
    }
    return datetime_make_subclass(cls, &m, tzinfo);
}

static PyObject *from_timestamp(PyObject *cls, PyObject *timestamp, bool local, PyObject *tzinfo)
{
    time_t seconds;
    long microseconds;
    if (time_object_to_timeval(timestamp, &seconds, &microseconds, ROUND_TIME_HALF_EVEN) < 0) return NULL;
    return from_time_t(cls, seconds, (int)microseconds, local, tzinfo);
}

/* Steals when, a datetime in UTC; NULL is passed on. */
static PyObject *as_zone_time(PyObject *when, PyObject *tzinfo)
{
    if (!when || tzinfo == Py_None) return when;
    PyObject *result = tzinfo_fromutc(tzinfo, when);
    Py_DECREF(when);
    return result;
}

static PyObject *datetime_now_in(PyObject *cls, bool local, PyObject *tzinfo)
{
    int64_t seconds;
    int microseconds;
    clock_now(&seconds, &microseconds);
    return from_time_t(cls, (time_t)seconds, microseconds, local, tzinfo);
}

BUILTIN(datetime, now, KEYWORDS, "($type, /, tz=None)", "The current time in the zone tz, by default the local one.")
{
    PyObject *tzinfo = arg[0] ? arg[0] : Py_None;
    if (tzinfo_check(tzinfo) < 0) return NULL;
    return as_zone_time(datetime_now_in(self, tzinfo == Py_None, tzinfo), tzinfo);
}

static int warn_deprecated(const char *name, const char *instead)
{
    return PyErr_WarnFormat(PyExc_DeprecationWarning, 1, "datetime.datetime.%s() is deprecated and scheduled for removal in a future version. "
                            "Use timezone-aware objects to represent datetimes in UTC: datetime.datetime.%s.", name, instead);
}

BUILTIN_NOARGS(datetime, utcnow, "($type, /)", "The current time in UTC, as a naive datetime.")
{
    return warn_deprecated("utcnow", "now(datetime.UTC)") < 0 ? NULL : datetime_now_in(self, false, Py_None);
}

PyObject *datetime_fromtimestamp(PyObject *cls, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = { "timestamp", "tz", NULL };
    PyObject *timestamp, *tzinfo = Py_None;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|O:fromtimestamp", keywords, &timestamp, &tzinfo) || tzinfo_check(tzinfo) < 0)
        return NULL;
    return as_zone_time(from_timestamp(cls, timestamp, tzinfo == Py_None, tzinfo), tzinfo);
}

static PyObject *datetime_utcfromtimestamp(PyObject *cls, PyObject *args)
{
    PyObject *timestamp;
    if (warn_deprecated("utcfromtimestamp", "fromtimestamp(timestamp, datetime.UTC)") < 0) return NULL;
    if (!PyArg_ParseTuple(args, "O:utcfromtimestamp", &timestamp)) return NULL;
    return from_timestamp(cls, timestamp, false, Py_None);
}

static PyObject *datetime_strptime(PyObject *cls, PyObject *args)
{
    PyObject *text, *format;
    if (!PyArg_ParseTuple(args, "UU:strptime", &text, &format)) return NULL;
    PyObject *module = PyImport_ImportModule("_strptime");
    PyObject *result = module ? PyObject_CallMethod(module, "_strptime_datetime", "OOO", cls, text, format) : NULL;
    Py_XDECREF(module);
    return result;
}

static PyObject *datetime_combine(PyObject *cls, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = { "date", "time", "tzinfo", NULL };
    PyObject *date, *time, *tzinfo = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O!O!|O:combine", keywords, &date_type, &date, &time_type, &time, &tzinfo)) return NULL;
    Moment m = time_moment(time);
    m.year = PyDateTime_GET_YEAR(date);
    m.month = PyDateTime_GET_MONTH(date);
    m.day = PyDateTime_GET_DAY(date);
    return datetime_make_subclass(cls, &m, tzinfo ? tzinfo : time_zone(time));
}

BUILTIN_O(datetime, fromisoformat, "($type, object, /)", "A datetime from text in ISO 8601 format.") { return parse_datetime_argument(self, arg); }

/* ---- zone ------------------------------------------------------------------------------------------------------------------------------ */

PyObject *datetime_utcoffset_of(PyObject *self) { return tzinfo_utcoffset(datetime_zone(self), self); }

BUILTIN_NOARGS(datetime, utcoffset, "($self, /)", "What the zone's utcoffset() gives for this time.") { return datetime_utcoffset_of(self); }
BUILTIN_NOARGS(datetime, dst, "($self, /)", "What the zone's dst() gives for this time.") { return tzinfo_dst(datetime_zone(self), self); }
BUILTIN_NOARGS(datetime, tzname, "($self, /)", "What the zone's tzname() gives for this time.") { return tzinfo_tzname(datetime_zone(self), self); }

/* ---- arithmetic ------------------------------------------------------------------------------------------------------------------------- */

PyObject *datetime_add_delta(PyObject *self, PyObject *delta, int sign)
{
    Moment m = datetime_moment(self);
    if (calendar_shift(&m, (int64_t)sign * DELTA(delta)->days, sign * DELTA(delta)->seconds, sign * DELTA(delta)->microseconds) < 0)
        return NULL;
    m.fold = 0;
    return datetime_make_subclass((PyObject *)Py_TYPE(self), &m, datetime_zone(self));
}

static PyObject *datetime_add(PyObject *a, PyObject *b)
{
    if (is_datetime(a)) {
        if (is_delta(b)) return datetime_add_delta(a, b, 1);
    } else if (is_delta(a)) {
        return datetime_add_delta(b, a, 1);
    }
    Py_RETURN_NOTIMPLEMENTED;
}

static PyObject *datetime_subtract_datetimes(PyObject *a, PyObject *b)
{
    PyObject *left = Py_None, *right = Py_None, *result = NULL;
    if (datetime_zone(a) == datetime_zone(b)) {
        Py_INCREF(left);
        Py_INCREF(right);
    } else {
        left = datetime_utcoffset_of(a);
        right = left ? datetime_utcoffset_of(b) : NULL;
        if (!right) goto done;
        if ((left == Py_None) != (right == Py_None)) {
            PyErr_SetString(PyExc_TypeError, "can't subtract offset-naive and offset-aware datetimes");
            goto done;
        }
    }
    Moment x = datetime_moment(a), y = datetime_moment(b);
    int64_t microseconds = (calendar_seconds(&x) - calendar_seconds(&y)) * 1000000 + x.microsecond - y.microsecond;
    if (left != Py_None) microseconds += (int64_t)delta_microseconds(right) - (int64_t)delta_microseconds(left);
    result = delta_make_carrying(0, 0, microseconds);
done:
    Py_XDECREF(left);
    Py_XDECREF(right);
    return result;
}

static PyObject *datetime_subtract(PyObject *a, PyObject *b)
{
    if (!is_datetime(a)) Py_RETURN_NOTIMPLEMENTED;
    if (is_datetime(b)) return datetime_subtract_datetimes(a, b);
    if (is_delta(b)) return datetime_add_delta(a, b, -1);
    Py_RETURN_NOTIMPLEMENTED;
}

/* ---- comparison, hash ----------------------------------------------------------------------------------------------------------------------- */

/* A datetime whose offset changes with its fold equals none of another zone (PEP 495). 1, 0 or -1. */
static int depends_on_fold(PyObject *self, PyObject *offset)
{
    Moment m = datetime_moment(self);
    m.fold = !m.fold;
    PyObject *flipped = datetime_make(&datetime_type, &m, datetime_zone(self));
    PyObject *other = flipped ? datetime_utcoffset_of(flipped) : NULL;
    Py_XDECREF(flipped);
    if (!other) return -1;
    int different = other != offset && (other == Py_None || offset == Py_None || delta_compare(other, offset) != 0);
    Py_DECREF(other);
    return different;
}

/* difference is 0: the equality that fold allows. */
static int equal_but_for_fold(PyObject *a, PyObject *b, PyObject *left, PyObject *right)
{
    int different = depends_on_fold(a, left);
    return different ? different : depends_on_fold(b, right);
}

static PyObject *datetime_richcompare(PyObject *a, PyObject *b, int op)
{
    if (!is_datetime(b)) Py_RETURN_NOTIMPLEMENTED;
    if (LIKELY(datetime_zone(a) == datetime_zone(b)))
        return compare_result(memcmp(DATETIME(a)->data, DATETIME(b)->data, _PyDateTime_DATETIME_DATASIZE), op);
    PyObject *result = NULL, *left = datetime_utcoffset_of(a), *right = left ? datetime_utcoffset_of(b) : NULL;
    if (!right) goto done;
    int difference;
    if (left == right || (left != Py_None && right != Py_None && delta_compare(left, right) == 0)) {
        difference = memcmp(DATETIME(a)->data, DATETIME(b)->data, _PyDateTime_DATETIME_DATASIZE);
    } else if (left != Py_None && right != Py_None) {
        PyObject *delta = datetime_subtract_datetimes(a, b);
        if (!delta) goto done;
        difference = delta_compare(delta, (PyObject *)&delta_zero);
        Py_DECREF(delta);
    } else if (op == Py_EQ || op == Py_NE) {
        result = PyBool_FromLong(op == Py_NE);
        goto done;
    } else {
        PyErr_SetString(PyExc_TypeError, "can't compare offset-naive and offset-aware datetimes");
        goto done;
    }
    if ((op == Py_EQ || op == Py_NE) && difference == 0 && (difference = equal_but_for_fold(a, b, left, right)) < 0) goto done;
    result = compare_result(difference, op);
done:
    Py_XDECREF(left);
    Py_XDECREF(right);
    return result;
}

static Py_hash_t datetime_hash(PyObject *self)
{
    if (DATETIME(self)->hashcode != -1) return DATETIME(self)->hashcode;
    PyObject *foldless = Py_NewRef(self);
    Moment m = datetime_moment(self);
    if (m.fold) {
        m.fold = 0;
        Py_SETREF(foldless, datetime_make(&datetime_type, &m, datetime_zone(self)));
        if (!foldless) return -1;
    }
    PyObject *offset = datetime_utcoffset_of(foldless);
    Py_DECREF(foldless);
    if (!offset) return -1;
    if (offset == Py_None) {
        DATETIME(self)->hashcode = hash_bytes(DATETIME(self)->data, _PyDateTime_DATETIME_DATASIZE);
    } else {
        PyObject *since = delta_make_carrying(calendar_ordinal(m.year, m.month, m.day) - (int64_t)DELTA(offset)->days,
                                              m.hour * 3600 + m.minute * 60 + m.second - DELTA(offset)->seconds,
                                              m.microsecond - DELTA(offset)->microseconds);
        if (since) DATETIME(self)->hashcode = PyObject_Hash(since);
        Py_XDECREF(since);
    }
    Py_DECREF(offset);
    return DATETIME(self)->hashcode;
}

/* ---- text ------------------------------------------------------------------------------------------------------------------------------------ */

static PyObject *datetime_repr(PyObject *self)
{
    Moment m = datetime_moment(self);
    const char *type = Py_TYPE(self)->tp_name;
    PyObject *text;
    if (m.microsecond)
        text = PyUnicode_FromFormat("%s(%d, %d, %d, %d, %d, %d, %d)", type, m.year, m.month, m.day, m.hour, m.minute, m.second, m.microsecond);
    else if (m.second)
        text = PyUnicode_FromFormat("%s(%d, %d, %d, %d, %d, %d)", type, m.year, m.month, m.day, m.hour, m.minute, m.second);
    else
        text = PyUnicode_FromFormat("%s(%d, %d, %d, %d, %d)", type, m.year, m.month, m.day, m.hour, m.minute);
    return text_with_zone(text, m.fold, datetime_zone(self));
}

static PyObject *iso_text(PyObject *self, int separator, int precision)
{
    Moment m = datetime_moment(self);
    char text[32 + OFFSET_TEXT_MAX], *at = text_iso_date(text, &m), *middle = at;
    *at++ = (char)(separator < 128 ? separator : 'T');
    at = text_iso_time(at, &m, precision);
    if (DATETIME(self)->hastzinfo && !(at = text_zone_offset(at, datetime_zone(self), self, ":"))) return NULL;
    if (LIKELY(separator < 128)) return PyUnicode_FromStringAndSize(text, at - text);
    *middle = 0;
    return PyUnicode_FromFormat("%s%c%.*s", text, separator, (int)(at - middle - 1), middle + 1);
}

#define ISOFORMAT_SIGNATURE "($self, /, sep='T', timespec='auto')"
BUILTIN(datetime, isoformat, KEYWORDS, ISOFORMAT_SIGNATURE,
        "[sep] -> the text YYYY-MM-DDT[HH[:MM[:SS[.mmm[uuu]]]]][+HH:MM].\n\nsep stands between date and time. timespec says how much "
        "of the time: 'auto',\n'hours', 'minutes', 'seconds', 'milliseconds' or 'microseconds'.")
{
    int separator = 'T', precision = ISO_AUTO;
    if (arg[0]) {
        if (!PyUnicode_Check(arg[0]) || PyUnicode_GET_LENGTH(arg[0]) != 1)
            return PyErr_Format(PyExc_TypeError, "isoformat() argument 1 must be a unicode character, not %.50s", Py_TYPE(arg[0])->tp_name);
        separator = (int)PyUnicode_READ_CHAR(arg[0], 0);
    }
    if (arg[1] && timespec_argument(arg[1], 2, &precision) < 0) return NULL;
    return iso_text(self, separator, precision);
}

static PyObject *datetime_str(PyObject *self)
{
    if (Py_IS_TYPE(self, &datetime_type)) return iso_text(self, ' ', ISO_AUTO);
    return PyObject_CallMethod(self, "isoformat", "s", " ");
}

BUILTIN_NOARGS(datetime, ctime, "($self, /)", "Text in the style of ctime().")
{
    Moment m = datetime_moment(self);
    return text_ctime(&m);
}

/* ---- conversions -------------------------------------------------------------------------------------------------------------------------------- */

BUILTIN_NOARGS(datetime, date, "($self, /)", "The date alone.")
{
    return date_make(&date_type, PyDateTime_GET_YEAR(self), PyDateTime_GET_MONTH(self), PyDateTime_GET_DAY(self));
}

BUILTIN_NOARGS(datetime, time, "($self, /)", "The time alone, without the zone.")
{
    Moment m = datetime_moment(self);
    return time_make(&time_type, &m, Py_None);
}

BUILTIN_NOARGS(datetime, timetz, "($self, /)", "The time alone, with the zone.")
{
    Moment m = datetime_moment(self);
    return time_make(&time_type, &m, datetime_zone(self));
}

BUILTIN_NOARGS(datetime, timetuple, "($self, /)", "A tuple such as time.localtime() gives.")
{
    int isdst = -1;
    if (DATETIME(self)->hastzinfo) {
        PyObject *dst = tzinfo_dst(datetime_zone(self), self);
        if (!dst) return NULL;
        if (dst != Py_None) isdst = delta_is_true(dst);
        Py_DECREF(dst);
    }
    Moment m = datetime_moment(self);
    return text_struct_time(&m, isdst);
}

BUILTIN_NOARGS(datetime, utctimetuple, "($self, /)", "A tuple such as time.gmtime() gives, in UTC.")
{
    PyObject *offset = datetime_utcoffset_of(self);
    if (!offset) return NULL;
    Moment m = datetime_moment(self);
    int status = offset == Py_None ? 0 : calendar_shift(&m, -(int64_t)DELTA(offset)->days, -DELTA(offset)->seconds, -DELTA(offset)->microseconds);
    Py_DECREF(offset);
    return status < 0 ? NULL : text_struct_time(&m, 0);
}

BUILTIN_NOARGS(datetime, timestamp, "($self, /)", "The POSIX timestamp, a float; a naive datetime is local time.")
{
    if (DATETIME(self)->hastzinfo) {
        PyObject *since = datetime_subtract_datetimes(self, (PyObject *)&datetime_epoch);
        PyObject *result = since ? PyObject_CallMethod(since, "total_seconds", NULL) : NULL;
        Py_XDECREF(since);
        return result;
    }
    Moment m = datetime_moment(self);
    int64_t seconds;
    if (calendar_from_local(&m, &seconds) < 0) return NULL;
    return PyFloat_FromDouble((double)(seconds - EPOCH_SECONDS) + m.microsecond / 1e6);
}

static PyObject *platform_zone(time_t t)
{
    struct tm tm;
    if (platform_localtime(t, &tm) < 0) return NULL;
    PyObject *zone = NULL, *name = NULL, *offset = delta_make_carrying(0, tm.tm_gmtoff, 0);
    if (offset && (name = PyUnicode_DecodeLocale(tm.tm_zone, "surrogateescape"))) zone = timezone_make(offset, name);
    Py_XDECREF(offset);
    Py_XDECREF(name);
    return zone;
}

/* The platform's zone at a naive local time, or at an aware time in UTC. In a gap fold=0 means the offset before it, which holds at
 * the earlier of the two solutions. */
static PyObject *platform_zone_for(const Moment *m, bool utc)
{
    int64_t seconds, flipped_seconds;
    if (utc) return platform_zone((time_t)(calendar_seconds(m) - EPOCH_SECONDS));
    Moment flipped = *m;
    flipped.fold = !m->fold;
    if (calendar_from_local(m, &seconds) < 0 || calendar_from_local(&flipped, &flipped_seconds) < 0) return NULL;
    if (flipped_seconds != seconds && (flipped_seconds > seconds) == m->fold) seconds = flipped_seconds;
    return platform_zone((time_t)(seconds - EPOCH_SECONDS));
}

static PyObject *datetime_astimezone(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = { "tz", NULL };
    PyObject *tzinfo = Py_None, *own = NULL, *offset = NULL, *utc = NULL, *result = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O:astimezone", keywords, &tzinfo) || tzinfo_check(tzinfo) < 0) return NULL;
    Moment m = datetime_moment(self);
    own = DATETIME(self)->hastzinfo ? Py_NewRef(datetime_zone(self)) : platform_zone_for(&m, false);
    if (!own) return NULL;
    if (own == tzinfo) {
        Py_DECREF(own);
        return Py_NewRef(self);
    }
    Py_INCREF(tzinfo);
    if (!(offset = tzinfo_utcoffset(own, self))) goto done;
    if (offset == Py_None) {                                /* a zone that does not know: as if there were none */
        Py_SETREF(own, platform_zone_for(&m, false));
        if (!own) goto done;
        Py_SETREF(offset, tzinfo_utcoffset(own, self));
        if (!offset) goto done;
    }
    m.fold = 0;
    if (calendar_shift(&m, -(int64_t)DELTA(offset)->days, -DELTA(offset)->seconds, -DELTA(offset)->microseconds) < 0) goto done;
    if (tzinfo == Py_None) {
        Py_SETREF(tzinfo, platform_zone_for(&m, true));
        if (!tzinfo) goto done;
    }
    if ((utc = datetime_make_subclass((PyObject *)Py_TYPE(self), &m, tzinfo))) result = tzinfo_fromutc(tzinfo, utc);
done:
    Py_XDECREF(tzinfo);
    Py_XDECREF(own);
    Py_XDECREF(offset);
    Py_XDECREF(utc);
    return result;
}

/* ---- the rest --------------------------------------------------------------------------------------------------------------------------------------- */

BUILTIN(datetime, replace, KEYWORDS, "($self, /, year=unchanged, month=unchanged, day=unchanged,\n"
        "        hour=unchanged, minute=unchanged, second=unchanged,\n"
        "        microsecond=unchanged, tzinfo=unchanged, *, fold=unchanged)", "A datetime with some fields changed.")
{
    Moment m = datetime_moment(self);
    int *const fields[] = { &m.year, &m.month, &m.day, &m.hour, &m.minute, &m.second, &m.microsecond };
    for (size_t i = 0; i < ARRAY_LENGTH(fields); i++)
        if (arg[i] && field_argument(arg[i], fields[i]) < 0) return NULL;
    if (arg[8] && field_argument(arg[8], &m.fold) < 0) return NULL;
    if (m.fold != 0 && m.fold != 1) return PyErr_Format(PyExc_ValueError, "fold must be either 0 or 1");
    return datetime_make_subclass((PyObject *)Py_TYPE(self), &m, arg[7] ? arg[7] : datetime_zone(self));
}

static PyObject *datetime_state(PyObject *self, int protocol)
{
    PyObject *state = PyBytes_FromStringAndSize((char *)DATETIME(self)->data, _PyDateTime_DATETIME_DATASIZE);
    if (!state) return NULL;
    if (protocol > 3 && PyDateTime_DATE_GET_FOLD(self)) PyBytes_AS_STRING(state)[2] |= (char)0x80;
    return DATETIME(self)->hastzinfo ? Py_BuildValue("O(NO)", Py_TYPE(self), state, DATETIME(self)->tzinfo)
                                     : Py_BuildValue("O(N)", Py_TYPE(self), state);
}

static PyObject *datetime___reduce_ex__(PyObject *self, PyObject *args)
{
    int protocol;
    return PyArg_ParseTuple(args, "i:__reduce_ex__", &protocol) ? datetime_state(self, protocol) : NULL;
}

BUILTIN_NOARGS(datetime, __reduce__, "($self, /)", "__reduce__() -> (cls, state)") { return datetime_state(self, 2); }

static PyObject *datetime_hour(PyObject *self, void *unused) { return PyLong_FromLong(PyDateTime_DATE_GET_HOUR(self)); }
static PyObject *datetime_minute(PyObject *self, void *unused) { return PyLong_FromLong(PyDateTime_DATE_GET_MINUTE(self)); }
static PyObject *datetime_second(PyObject *self, void *unused) { return PyLong_FromLong(PyDateTime_DATE_GET_SECOND(self)); }
static PyObject *datetime_microsecond(PyObject *self, void *unused) { return PyLong_FromLong(PyDateTime_DATE_GET_MICROSECOND(self)); }
static PyObject *datetime_tzinfo(PyObject *self, void *unused) { return Py_NewRef(datetime_zone(self)); }
static PyObject *datetime_fold(PyObject *self, void *unused) { return PyLong_FromLong(PyDateTime_DATE_GET_FOLD(self)); }

static PyGetSetDef datetime_getset[] = {
    { "hour", datetime_hour }, { "minute", datetime_minute }, { "second", datetime_second }, { "microsecond", datetime_microsecond },
    { "tzinfo", datetime_tzinfo }, { "fold", datetime_fold }, {0},
};

static PyMethodDef datetime_methods[] = {
    METHOD_CLASS(datetime, now),
    METHOD_CLASS(datetime, utcnow),
    METHOD_DICT(datetime, fromtimestamp, METH_CLASS, "timestamp[, tz] -> the time in tz (or local time) at a POSIX timestamp."),
    METHOD_TUPLE(datetime, utcfromtimestamp, METH_CLASS, "timestamp -> naive UTC time at a POSIX timestamp."),
    METHOD_TUPLE(datetime, strptime, METH_CLASS, "string, format -> the time read from a string as time.strptime() does."),
    METHOD_DICT(datetime, combine, METH_CLASS, "date, time -> datetime of their fields."),
    METHOD_CLASS(datetime, fromisoformat),
    METHOD(datetime, date),
    METHOD(datetime, time),
    METHOD(datetime, timetz),
    METHOD(datetime, ctime),
    METHOD(datetime, timetuple),
    METHOD(datetime, timestamp),
    METHOD(datetime, utctimetuple),
    METHOD_TEXT(datetime, isoformat, 0, ISOFORMAT_SIGNATURE),
    METHOD(datetime, utcoffset),
    METHOD(datetime, tzname),
    METHOD(datetime, dst),
    METHOD(datetime, replace),
    { "__replace__", (PyCFunction)(void (*)(void))datetime_replace, METH_FASTCALL | METH_KEYWORDS,
      PyDoc_STR("__replace__($self, /, **changes)\n--\n\nThe same as replace().") },
    METHOD_DICT(datetime, astimezone, 0, "tz -> the same moment in another zone, by default the local one."),
    METHOD_TUPLE(datetime, __reduce_ex__, 0, "__reduce_ex__(proto) -> (cls, state)"),
    METHOD(datetime, __reduce__),
    {0},
};

static PyNumberMethods datetime_numbers = { .nb_add = datetime_add, .nb_subtract = datetime_subtract };

PyTypeObject datetime_type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "datetime.datetime",
    .tp_basicsize = sizeof(DateTime),
    .tp_dealloc = datetime_dealloc,
    .tp_repr = datetime_repr,
    .tp_as_number = &datetime_numbers,
    .tp_hash = datetime_hash,
    .tp_str = datetime_str,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_doc = PyDoc_STR("datetime(year, month, day[, hour[, minute[, second[, microsecond[,tzinfo]]]]])\n\n"
                        "The year, month and day arguments are required. tzinfo may be None, or an\n"
                        "instance of a tzinfo subclass. The remaining arguments may be ints.\n"),
    .tp_richcompare = datetime_richcompare,
    .tp_methods = datetime_methods,
    .tp_getset = datetime_getset,
    .tp_base = &date_type,
    .tp_new = datetime_new,
    .tp_vectorcall = datetime_vectorcall,
};
