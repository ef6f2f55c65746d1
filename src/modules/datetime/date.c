/* date: year, month, day, in four bytes as they are compared, hashed and pickled. */
#include "datetime_private.h"

#include <time.h>

Py_hash_t _Py_HashBytes(const void *data, Py_ssize_t length);

Py_hash_t hash_bytes(const unsigned char *data, Py_ssize_t length) { return _Py_HashBytes(data, length); }

int field_argument(PyObject *o, int *value)
{
    if (LIKELY(small_int_value(o, value))) return 0;
    PyObject *args = PyTuple_Pack(1, o);
    int status = args && PyArg_ParseTuple(args, "i", value) ? 0 : -1;      /* its wording of what is wrong */
    Py_XDECREF(args);
    return status;
}

void clock_now(int64_t *seconds, int *microseconds)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    *seconds = now.tv_sec;
    *microseconds = (int)(now.tv_nsec / 1000);
}

/* ---- making ------------------------------------------------------------------------------------------------------------------- */

static PyObject *date_alloc(PyTypeObject *type)
{
    Date *d = (Date *)(type == &date_type ? object_alloc(thread_get(), type, sizeof(Date)) : type->tp_alloc(type, 0));
    if (UNLIKELY(!d)) return NULL;
    d->hashcode = -1;
    d->hastzinfo = 0;
    return (PyObject *)d;
}

PyObject *date_make(PyTypeObject *type, int year, int month, int day)
{
    if (calendar_check_date(year, month, day) < 0) return NULL;
    Date *d = (Date *)date_alloc(type);
    if (!d) return NULL;
    d->data[0] = (unsigned char)(year >> 8);
    d->data[1] = (unsigned char)year;
    d->data[2] = (unsigned char)month;
    d->data[3] = (unsigned char)day;
    return (PyObject *)d;
}

PyObject *date_make_subclass(PyObject *cls, int year, int month, int day)
{
    if (cls == (PyObject *)&date_type) return date_make(&date_type, year, month, day);
    if (cls == (PyObject *)&datetime_type) return datetime_make(&datetime_type, &(Moment){ .year = year, .month = month, .day = day }, Py_None);
    return PyObject_CallFunction(cls, "iii", year, month, day);
}

int pickle_state(PyObject *first, Py_ssize_t length, int place, int mask, const char *what, PyObject **state)
{
    bool is_bytes = PyBytes_Check(first);
    if (!is_bytes && !PyUnicode_Check(first)) return 0;
    if ((is_bytes ? PyBytes_GET_SIZE(first) : PyUnicode_GET_LENGTH(first)) != length) return 0;
    unsigned value = is_bytes ? (unsigned char)PyBytes_AS_STRING(first)[place] : PyUnicode_READ_CHAR(first, place);
    value &= (unsigned)mask;
    if (place ? value < 1 || value > 12 : value > 23) return 0;
    *state = is_bytes ? Py_NewRef(first) : PyUnicode_AsLatin1String(first);
    if (*state) return 1;
    if (PyErr_ExceptionMatches(PyExc_UnicodeEncodeError))
        PyErr_Format(PyExc_ValueError, "Failed to encode latin1 string when unpickling a %s object. "
                     "pickle.load(data, encoding='latin1') is assumed.", what);
    return -1;
}

static PyObject *date_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = { "year", "month", "day", NULL };
    int year, month, day;
    if (PyTuple_GET_SIZE(args) == 1) {
        PyObject *state;
        int found = pickle_state(PyTuple_GET_ITEM(args, 0), _PyDateTime_DATE_DATASIZE, 2, -1, "date", &state);
        if (found < 0) return NULL;
        if (found) {
            PyObject *self = date_alloc(type);
            if (self) memcpy(DATE(self)->data, PyBytes_AS_STRING(state), _PyDateTime_DATE_DATASIZE);
            Py_DECREF(state);
            return self;
        }
    }
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "iii", keywords, &year, &month, &day)) return NULL;
    return date_make(type, year, month, day);
}

static PyObject *date_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    int year, month, day;
    if (nargs == 3 && !kwnames && small_int_value(args[0], &year) && small_int_value(args[1], &month) && small_int_value(args[2], &day))
        return date_make((PyTypeObject *)type, year, month, day);
    return vectorcall_new(type, args, nargs, kwnames);
}

PyObject *vectorcall_new(PyObject *type, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    PyObject *kwargs = NULL, *result = NULL, *positional = PyTuple_New(nargs);
    if (!positional) return NULL;
    for (Py_ssize_t i = 0; i < nargs; i++) PyTuple_SET_ITEM(positional, i, Py_NewRef(args[i]));
    if (kwnames && PyTuple_GET_SIZE(kwnames)) {
        if (!(kwargs = PyDict_New())) goto done;
        for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(kwnames); i++)
            if (PyDict_SetItem(kwargs, PyTuple_GET_ITEM(kwnames, i), args[nargs + i]) < 0) goto done;
    }
    result = ((PyTypeObject *)type)->tp_new((PyTypeObject *)type, positional, kwargs);
done:
    Py_DECREF(positional);
    Py_XDECREF(kwargs);
    return result;
}

static PyObject *date_from_time_t(PyObject *cls, PyObject *timestamp)
{
    struct tm tm;
    time_t t;
    if (time_object_to_time_t(timestamp, &t, ROUND_TIME_FLOOR) < 0 || platform_localtime(t, &tm) < 0) return NULL;
    return date_make_subclass(cls, tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
}

BUILTIN_O(date, fromtimestamp, "($type, timestamp, /)", "The local date at a POSIX timestamp, such as time.time() gives.")
{
    return date_from_time_t(self, arg);
}

PyObject *date_fromtimestamp_tuple(PyObject *cls, PyObject *args)
{
    PyObject *timestamp;
    return PyArg_UnpackTuple(args, "fromtimestamp", 1, 1, &timestamp) ? date_from_time_t(cls, timestamp) : NULL;
}

BUILTIN_NOARGS(date, today, "($type, /)", "Today's date; for a subclass what its fromtimestamp(time.time()) gives.")
{
    if (self == (PyObject *)&date_type) {
        int64_t seconds;
        int microseconds;
        struct tm tm;
        clock_now(&seconds, &microseconds);
        if (platform_localtime((time_t)seconds, &tm) < 0) return NULL;
        return date_make(&date_type, tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
    }
    PyObject *time = PyImport_ImportModule("time"), *now = time ? PyObject_CallMethod(time, "time", NULL) : NULL;
    PyObject *result = now ? PyObject_CallMethod(self, "fromtimestamp", "O", now) : NULL;
    Py_XDECREF(time);
    Py_XDECREF(now);
    return result;
}

static PyObject *date_fromordinal(PyObject *cls, PyObject *args)
{
    int ordinal, year, month, day;
    if (!PyArg_ParseTuple(args, "i:fromordinal", &ordinal)) return NULL;
    if (ordinal < 1) return PyErr_Format(PyExc_ValueError, "ordinal must be >= 1");
    calendar_from_ordinal(ordinal, &year, &month, &day);
    return date_make_subclass(cls, year, month, day);
}

BUILTIN_O(date, fromisoformat, "($type, object, /)", "A date from text in ISO 8601 format.") { return parse_date_argument(self, arg); }

static PyObject *date_fromisocalendar(PyObject *cls, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = { "year", "week", "day", NULL };
    int iso_year, week, weekday, year, month, day;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "iii:fromisocalendar", keywords, &iso_year, &week, &weekday)) {
        if (PyErr_ExceptionMatches(PyExc_OverflowError)) PyErr_Format(PyExc_ValueError, "ISO calendar component out of range");
        return NULL;
    }
    switch (calendar_from_iso(iso_year, week, weekday, &year, &month, &day)) {
    case -4: return PyErr_Format(PyExc_ValueError, "Year is out of range: %d", iso_year);
    case -2: return PyErr_Format(PyExc_ValueError, "Invalid week: %d", week);
    case -3: return PyErr_Format(PyExc_ValueError, "Invalid day: %d (range is [1, 7])", weekday);
    default: return date_make_subclass(cls, year, month, day);
    }
}

/* ---- arithmetic, comparison ------------------------------------------------------------------------------------------------------ */

static PyObject *date_shift(PyObject *date, PyObject *delta, int sign)
{
    Moment m = date_moment(date);
    if (calendar_shift(&m, (int64_t)sign * DELTA(delta)->days, 0, 0) < 0) return NULL;
    return date_make_subclass((PyObject *)Py_TYPE(date), m.year, m.month, m.day);
}

static PyObject *date_add(PyObject *a, PyObject *b)
{
    if (is_datetime(a) || is_datetime(b)) Py_RETURN_NOTIMPLEMENTED;
    if (is_date(a)) {
        if (is_delta(b)) return date_shift(a, b, 1);
    } else if (is_delta(a)) {
        return date_shift(b, a, 1);
    }
    Py_RETURN_NOTIMPLEMENTED;
}

static PyObject *date_subtract(PyObject *a, PyObject *b)
{
    if (is_datetime(a) || is_datetime(b) || !is_date(a)) Py_RETURN_NOTIMPLEMENTED;
    if (is_date(b)) {
        int days = calendar_ordinal(PyDateTime_GET_YEAR(a), PyDateTime_GET_MONTH(a), PyDateTime_GET_DAY(a)) -
                   calendar_ordinal(PyDateTime_GET_YEAR(b), PyDateTime_GET_MONTH(b), PyDateTime_GET_DAY(b));
        return delta_make(&timedelta_type, days, 0, 0);
    }
    if (is_delta(b)) return date_shift(a, b, -1);
    Py_RETURN_NOTIMPLEMENTED;
}

static PyObject *date_richcompare(PyObject *a, PyObject *b, int op)
{
    /* A datetime is a date, but comparing the dates alone is not wanted. */
    if (!is_date(b) || is_datetime(b)) Py_RETURN_NOTIMPLEMENTED;
    return compare_result(memcmp(DATE(a)->data, DATE(b)->data, _PyDateTime_DATE_DATASIZE), op);
}

static Py_hash_t date_hash(PyObject *self)
{
    if (DATE(self)->hashcode == -1) DATE(self)->hashcode = hash_bytes(DATE(self)->data, _PyDateTime_DATE_DATASIZE);
    return DATE(self)->hashcode;
}

/* ---- text -------------------------------------------------------------------------------------------------------------------------- */

static PyObject *date_repr(PyObject *self)
{
    return PyUnicode_FromFormat("%s(%d, %d, %d)", Py_TYPE(self)->tp_name, PyDateTime_GET_YEAR(self), PyDateTime_GET_MONTH(self),
                                PyDateTime_GET_DAY(self));
}

BUILTIN_NOARGS(date, isoformat, "($self, /)", "The text YYYY-MM-DD.")
{
    Moment m = date_moment(self);
    char text[10];
    return PyUnicode_FromStringAndSize(text, text_iso_date(text, &m) - text);
}

static PyObject *date_str(PyObject *self) { return PyObject_CallMethodNoArgs(self, STR(isoformat)); }

BUILTIN_NOARGS(date, ctime, "($self, /)", "Text in the style of ctime().")
{
    Moment m = date_moment(self);
    return text_ctime(&m);
}

static PyObject *date_strftime(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = { "format", NULL };
    PyObject *format;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "U:strftime", keywords, &format)) return NULL;
    PyObject *tuple = PyObject_CallMethod(self, "timetuple", NULL);
    PyObject *result = text_strftime(self, format, tuple, self);
    Py_XDECREF(tuple);
    return result;
}

static PyObject *date___format__(PyObject *self, PyObject *args) { return text_format(self, args); }

/* ---- ISO calendar --------------------------------------------------------------------------------------------------------------------- */

static PyObject *iso_calendar_make(PyTypeObject *type, int year, int week, int weekday)
{
    PyObject *self = type->tp_alloc(type, 3);
    if (!self) return NULL;
    int values[] = { year, week, weekday };
    for (int i = 0; i < 3; i++) {
        PyObject *value = PyLong_FromLong(values[i]);
        if (!value) {
            Py_DECREF(self);
            return NULL;
        }
        PyTuple_SET_ITEM(self, i, value);
    }
    return self;
}

static PyObject *iso_calendar_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = { "year", "week", "weekday", NULL };
    int year, week, weekday;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "iii:IsoCalendarDate", keywords, &year, &week, &weekday)) return NULL;
    return iso_calendar_make(type, year, week, weekday);
}

static PyObject *iso_calendar_repr(PyObject *self)
{
    return PyUnicode_FromFormat("%.200s(year=%S, week=%S, weekday=%S)", Py_TYPE(self)->tp_name, PyTuple_GET_ITEM(self, 0),
                                PyTuple_GET_ITEM(self, 1), PyTuple_GET_ITEM(self, 2));
}

BUILTIN_NOARGS(iso_calendar, __reduce__, "($self, /)", "__reduce__() -> (cls, state)")
{
    return Py_BuildValue("O((OOO))", &PyTuple_Type, PyTuple_GET_ITEM(self, 0), PyTuple_GET_ITEM(self, 1), PyTuple_GET_ITEM(self, 2));
}

static PyObject *iso_calendar_item(PyObject *self, void *index) { return Py_NewRef(PyTuple_GET_ITEM(self, (intptr_t)index)); }

static PyGetSetDef iso_calendar_getset[] = {
    { "year", iso_calendar_item, NULL, NULL, (void *)0 }, { "week", iso_calendar_item, NULL, NULL, (void *)1 },
    { "weekday", iso_calendar_item, NULL, NULL, (void *)2 }, {0},
};

static PyMethodDef iso_calendar_methods[] = { METHOD(iso_calendar, __reduce__), {0} };

PyTypeObject iso_calendar_type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "datetime.IsoCalendarDate",
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_doc = PyDoc_STR("What isocalendar() of a date or datetime gives: the tuple (year, week, weekday),\nwhose items are attributes too."),
    .tp_repr = iso_calendar_repr,
    .tp_methods = iso_calendar_methods,
    .tp_getset = iso_calendar_getset,
    .tp_base = &PyTuple_Type,
    .tp_new = iso_calendar_new,
};

BUILTIN_NOARGS(date, isocalendar, "($self, /)", "The ISO year, week number and weekday, as a named tuple.")
{
    int year = PyDateTime_GET_YEAR(self);
    int today = calendar_ordinal(year, PyDateTime_GET_MONTH(self), PyDateTime_GET_DAY(self)), monday = calendar_iso_monday(year);
    int week = (today - monday) / 7 - (today < monday && (today - monday) % 7);
    int day = today - monday - week * 7;
    if (week < 0) {
        monday = calendar_iso_monday(--year);
        week = (today - monday) / 7;
        day = (today - monday) % 7;
    } else if (week >= 52 && today >= calendar_iso_monday(year + 1)) {
        year++;
        week = 0;
    }
    return iso_calendar_make(&iso_calendar_type, year, week + 1, day + 1);
}

/* ---- the rest ---------------------------------------------------------------------------------------------------------------------------- */

static PyObject *date_replace_fields(PyObject *self, PyObject *const *arg)
{
    Moment m = date_moment(self);
    if ((arg[0] && field_argument(arg[0], &m.year) < 0) || (arg[1] && field_argument(arg[1], &m.month) < 0) ||
        (arg[2] && field_argument(arg[2], &m.day) < 0)) return NULL;
    return date_make_subclass((PyObject *)Py_TYPE(self), m.year, m.month, m.day);
}

BUILTIN(date, replace, KEYWORDS, "($self, /, year=unchanged, month=unchanged, day=unchanged)", "A date with some fields changed.")
{
    return date_replace_fields(self, arg);
}

BUILTIN_NOARGS(date, timetuple, "($self, /)", "A tuple such as time.localtime() gives.")
{
    Moment m = date_moment(self);
    return text_struct_time(&m, -1);
}

BUILTIN_NOARGS(date, toordinal, "($self, /)", "The day's number; January 1 of year 1 is day 1.")
{
    return PyLong_FromLong(calendar_ordinal(PyDateTime_GET_YEAR(self), PyDateTime_GET_MONTH(self), PyDateTime_GET_DAY(self)));
}

BUILTIN_NOARGS(date, weekday, "($self, /)", "The day of the week, Monday being 0.")
{
    return PyLong_FromLong(calendar_weekday(PyDateTime_GET_YEAR(self), PyDateTime_GET_MONTH(self), PyDateTime_GET_DAY(self)));
}

BUILTIN_NOARGS(date, isoweekday, "($self, /)", "The day of the week, Monday being 1.")
{
    return PyLong_FromLong(calendar_weekday(PyDateTime_GET_YEAR(self), PyDateTime_GET_MONTH(self), PyDateTime_GET_DAY(self)) + 1);
}

BUILTIN_NOARGS(date, __reduce__, "($self, /)", "__reduce__() -> (cls, state)")
{
    return Py_BuildValue("O(N)", Py_TYPE(self), PyBytes_FromStringAndSize((char *)DATE(self)->data, _PyDateTime_DATE_DATASIZE));
}

static PyObject *date_year(PyObject *self, void *unused) { return PyLong_FromLong(PyDateTime_GET_YEAR(self)); }
static PyObject *date_month(PyObject *self, void *unused) { return PyLong_FromLong(PyDateTime_GET_MONTH(self)); }
static PyObject *date_day(PyObject *self, void *unused) { return PyLong_FromLong(PyDateTime_GET_DAY(self)); }

static PyGetSetDef date_getset[] = { { "year", date_year }, { "month", date_month }, { "day", date_day }, {0} };

static PyMethodDef date_methods[] = {
    METHOD_CLASS(date, fromtimestamp),
    METHOD_TUPLE(date, fromordinal, METH_CLASS, "int -> the date of a day's number."),
    METHOD_CLASS(date, fromisoformat),
    METHOD_DICT(date, fromisocalendar, METH_CLASS, "int, int, int -> the date of an ISO year, week number and weekday."),
    METHOD_CLASS(date, today),
    METHOD(date, ctime),
    METHOD_DICT(date, strftime, 0, "format -> text in the style of strftime()."),
    METHOD_TUPLE(date, __format__, 0, "Formats self with strftime."),
    METHOD(date, timetuple),
    METHOD(date, isocalendar),
    METHOD(date, isoformat),
    METHOD(date, isoweekday),
    METHOD(date, toordinal),
    METHOD(date, weekday),
    METHOD(date, replace),
    { "__replace__", (PyCFunction)(void (*)(void))date_replace, METH_FASTCALL | METH_KEYWORDS,
      PyDoc_STR("__replace__($self, /, **changes)\n--\n\nThe same as replace().") },
    METHOD(date, __reduce__),
    {0},
};

static PyNumberMethods date_numbers = { .nb_add = date_add, .nb_subtract = date_subtract };

static void date_dealloc(PyObject *self) { Py_TYPE(self)->tp_free(self); }

PyTypeObject date_type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "datetime.date",
    .tp_basicsize = sizeof(Date),
    .tp_dealloc = date_dealloc,
    .tp_repr = date_repr,
    .tp_as_number = &date_numbers,
    .tp_hash = date_hash,
    .tp_str = date_str,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_doc = PyDoc_STR("date(year, month, day) --> date object"),
    .tp_richcompare = date_richcompare,
    .tp_methods = date_methods,
    .tp_getset = date_getset,
    .tp_new = date_new,
    .tp_vectorcall = date_vectorcall,
};
