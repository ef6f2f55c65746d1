/* Dates and times as text: ISO 8601, ctime, strftime. */
#include "datetime_private.h"

static char *text_digits(char *at, unsigned value, int width)
{
    for (int i = width; i-- > 0; value /= 10) at[i] = (char)('0' + value % 10);
    return at + width;
}

char *text_iso_date(char *at, const Moment *m)
{
    at = text_digits(at, (unsigned)m->year, 4);
    *at++ = '-';
    at = text_digits(at, (unsigned)m->month, 2);
    *at++ = '-';
    return text_digits(at, (unsigned)m->day, 2);
}

char *text_iso_time(char *at, const Moment *m, int precision)
{
    if (precision == ISO_AUTO) precision = m->microsecond ? ISO_MICROSECONDS : ISO_SECONDS;
    at = text_digits(at, (unsigned)m->hour, 2);
    if (precision == ISO_HOURS) return at;
    *at++ = ':';
    at = text_digits(at, (unsigned)m->minute, 2);
    if (precision == ISO_MINUTES) return at;
    *at++ = ':';
    at = text_digits(at, (unsigned)m->second, 2);
    if (precision == ISO_SECONDS) return at;
    *at++ = '.';
    return precision == ISO_MILLISECONDS ? text_digits(at, (unsigned)m->microsecond / 1000, 3)
                                         : text_digits(at, (unsigned)m->microsecond, 6);
}

int timespec_argument(PyObject *name, int position, int *precision)
{
    if (!PyUnicode_Check(name)) {
        PyErr_Format(PyExc_TypeError, "isoformat() argument %d must be str, not %.50s", position, name == Py_None ? "None" : Py_TYPE(name)->tp_name);
        return -1;
    }
    static const char *const names[] = { "auto", "hours", "minutes", "seconds", "milliseconds", "microseconds" };
    for (int i = 0; i < (int)ARRAY_LENGTH(names); i++)
        if (PyUnicode_EqualToUTF8(name, names[i])) {
            *precision = i;
            return 0;
        }
    if (PyUnicode_AsUTF8(name)) PyErr_SetString(PyExc_ValueError, "Unknown timespec value");
    return -1;
}

char *text_offset(char *at, PyObject *offset, const char *separator)
{
    int64_t seconds = (int64_t)DELTA(offset)->days * SECONDS_A_DAY + DELTA(offset)->seconds;
    int microseconds = DELTA(offset)->microseconds;
    *at++ = seconds < 0 ? '-' : '+';
    if (seconds < 0) {
        seconds = -seconds;
        if (microseconds) {
            seconds--;
            microseconds = 1000000 - microseconds;
        }
    }
    unsigned parts[3] = { (unsigned)(seconds / 3600), (unsigned)(seconds / 60 % 60), (unsigned)(seconds % 60) };
    int count = parts[2] || microseconds ? 3 : 2;
    for (int i = 0; i < count; i++) {
        if (i && *separator) *at++ = *separator;
        at = text_digits(at, parts[i], 2);
    }
    if (!microseconds) return at;
    *at++ = '.';
    return text_digits(at, (unsigned)microseconds, 6);
}

char *text_zone_offset(char *at, PyObject *tzinfo, PyObject *argument, const char *separator)
{
    PyObject *offset = tzinfo_utcoffset(tzinfo, argument);
    if (!offset) return NULL;
    if (offset != Py_None) at = text_offset(at, offset, separator);
    Py_DECREF(offset);
    return at;
}

PyObject *text_ctime(const Moment *m)
{
    static const char days[] = "MonTueWedThuFriSatSun", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    char text[40];
    snprintf(text, sizeof text, "%.3s %.3s %2d %02d:%02d:%02d %04d", days + 3 * calendar_weekday(m->year, m->month, m->day),
             months + 3 * (m->month - 1), m->day, m->hour, m->minute, m->second, m->year);
    return PyUnicode_FromString(text);
}

PyObject *text_struct_time(const Moment *m, int isdst)
{
    PyObject *make = NULL, *time = PyImport_ImportModule("time"), *result = NULL;
    if (!time || !(make = PyObject_GetAttrString(time, "struct_time"))) goto done;
    result = PyObject_CallFunction(make, "((iiiiiiiii))", m->year, m->month, m->day, m->hour, m->minute, m->second,
                                   calendar_weekday(m->year, m->month, m->day), calendar_days_before_month(m->year, m->month) + m->day, isdst);
done:
    Py_XDECREF(time);
    Py_XDECREF(make);
    return result;
}

PyObject *text_with_zone(PyObject *repr, int fold, PyObject *tzinfo)
{
    if (!repr || (!fold && tzinfo == Py_None)) return repr;
    PyObject *body = PyUnicode_Substring(repr, 0, PyUnicode_GET_LENGTH(repr) - 1);
    Py_DECREF(repr);
    if (!body) return NULL;
    PyObject *result = tzinfo == Py_None ? PyUnicode_FromFormat("%U, fold=%d)", body, fold)
                       : fold            ? PyUnicode_FromFormat("%U, fold=%d, tzinfo=%R)", body, fold, tzinfo)
                                         : PyUnicode_FromFormat("%U, tzinfo=%R)", body, tzinfo);
    Py_DECREF(body);
    return result;
}

/* ---- strftime: what the C library's does not know is put in here, the rest is left to time.strftime() ------------------------- */

static PyObject *zone_name_escaped(PyObject *tzinfo, PyObject *argument)
{
    PyObject *name = tzinfo_tzname(tzinfo, argument);
    if (!name || name != Py_None) {
        if (!name) return NULL;
        /* A percent sign in the name must survive time.strftime(). */
        PyObject *escaped = PyObject_CallMethod(name, "replace", "ss", "%", "%%");
        Py_DECREF(name);
        if (escaped && !PyUnicode_Check(escaped)) {
            PyErr_SetString(PyExc_TypeError, "tzname.replace() did not return a string");
            Py_CLEAR(escaped);
        }
        return escaped;
    }
    Py_DECREF(name);
    return PyUnicode_FromString("");
}

/* The text of the directive at format[i], which may be ':' and 'z'. *used counts its characters. NULL without exception: not ours. */
static PyObject *own_directive(PyObject *self, PyObject *format, Py_ssize_t i, PyObject *argument, Py_ssize_t *used)
{
    Py_UCS4 c = PyUnicode_READ_CHAR(format, i);
    PyObject *zone = is_time(self) ? time_zone(self) : is_datetime(self) ? datetime_zone(self) : Py_None;
    char text[OFFSET_TEXT_MAX];
    *used = 1;
    if (c == ':' && i + 1 < PyUnicode_GET_LENGTH(format) && PyUnicode_READ_CHAR(format, i + 1) == 'z') *used = 2;
    if (c == 'z' || *used == 2) {
        char *end = text_zone_offset(text, zone, argument, c == 'z' ? "" : ":");
        return end ? PyUnicode_FromStringAndSize(text, end - text) : NULL;
    }
    if (c == 'Z') return zone_name_escaped(zone, argument);
    if (c == 'f') {
        int microsecond = is_time(self) ? PyDateTime_TIME_GET_MICROSECOND(self) : is_datetime(self) ? PyDateTime_DATE_GET_MICROSECOND(self) : 0;
        return PyUnicode_FromStringAndSize(text, text_digits(text, (unsigned)microsecond, 6) - text);
    }
    return NULL;
}

static PyObject *expand_own_directives(PyObject *self, PyObject *format, PyObject *argument)
{
    _PyUnicodeWriter writer;
    _PyUnicodeWriter_Init(&writer);
    Py_ssize_t length = PyUnicode_GET_LENGTH(format), copied = 0;
    for (Py_ssize_t i = 0; i + 1 < length;) {
        if (PyUnicode_READ_CHAR(format, i) != '%') {
            i++;
            continue;
        }
        Py_ssize_t used;
        PyObject *text = own_directive(self, format, i + 1, argument, &used);
        if (text) {
            int status = _PyUnicodeWriter_WriteSubstring(&writer, format, copied, i);
            if (status == 0) status = _PyUnicodeWriter_WriteStr(&writer, text);
            Py_DECREF(text);
            if (status < 0) goto error;
            copied = i + 1 + used;
            i = copied;
        } else if (PyErr_Occurred()) {
            goto error;
        } else {
            i += 2;
        }
    }
    if (copied == 0) {
        _PyUnicodeWriter_Dealloc(&writer);
        return Py_NewRef(format);
    }
    if (_PyUnicodeWriter_WriteSubstring(&writer, format, copied, length) < 0) goto error;
    return _PyUnicodeWriter_Finish(&writer);
error:
    _PyUnicodeWriter_Dealloc(&writer);
    return NULL;
}

PyObject *text_strftime(PyObject *self, PyObject *format, PyObject *timetuple, PyObject *argument)
{
    PyObject *result = NULL, *time = NULL, *expanded = timetuple ? expand_own_directives(self, format, argument) : NULL;
    if (expanded && (time = PyImport_ImportModule("time")))
        result = PyObject_CallMethod(time, "strftime", "OO", expanded, timetuple);
    Py_XDECREF(expanded);
    Py_XDECREF(time);
    return result;
}

PyObject *text_format(PyObject *self, PyObject *args)
{
    PyObject *format;
    if (!PyArg_ParseTuple(args, "U:__format__", &format)) return NULL;
    if (PyUnicode_GET_LENGTH(format) == 0) return PyObject_Str(self);
    return PyObject_CallMethod(self, "strftime", "O", format);
}
