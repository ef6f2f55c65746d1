/* Reading ISO 8601. All text is ASCII apart from the character between date and time, and ends with a zero byte.
 *
 * Dates: YYYY-MM-DD, YYYYMMDD, YYYY-Www[-D], YYYYWww[D]. Times: HH[:MM[:SS[(.|,)f+]]] with all or no colons, then Z or an offset
 * of the same form. The separator may be any character, so its place follows from the form of the date. */
#include "datetime_private.h"

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static const char *read_digits(const char *p, int *value, int count)
{
    *value = 0;
    for (; count > 0; count--, p++) {
        if (!is_digit(*p)) return NULL;
        *value = *value * 10 + (*p - '0');
    }
    return p;
}

static int parse_iso_date(const char *text, Py_ssize_t length, Moment *m)
{
    const char *p = read_digits(text, &m->year, 4);
    if (!p) return -1;
    bool dashes = *p == '-';
    if (dashes) p++;
    if (*p == 'W') {
        int week, day = 1;
        if (!(p = read_digits(p + 1, &week, 2))) return -1;
        if (p - text < length) {
            if (dashes && *p++ != '-') return -1;
            if (!(p = read_digits(p, &day, 1))) return -1;
        }
        return calendar_from_iso(m->year, week, day, &m->year, &m->month, &m->day) < 0 ? -1 : 0;
    }
    if (!(p = read_digits(p, &m->month, 2))) return -1;
    if (dashes && *p++ != '-') return -1;
    p = read_digits(p, &m->day, 2);
    return p && p - text == length ? 0 : -1;
}

/* HH[:?MM[:?SS[.f+]]] that ends at end. */
static int read_clock(const char *p, const char *end, int field[4])
{
    bool colons = false;
    field[0] = field[1] = field[2] = field[3] = 0;
    for (int i = 0;; i++) {
        if (end - p < 2 || !(p = read_digits(p, &field[i], 2))) return -1;
        if (p == end) return 0;
        if (i == 0) colons = *p == ':';
        if (i == 2) break;
        if (colons && *p++ != ':') return -1;
    }
    if (*p != '.' && *p != ',') {
        if (colons || !is_digit(*p)) return -1;              /* HHMMSSffffff goes without a point */
    } else {
        p++;
    }
    Py_ssize_t count = Py_MIN(end - p, 6);
    if (count < 1 || !(p = read_digits(p, &field[3], (int)count))) return -1;
    for (; count < 6; count++) field[3] *= 10;
    while (p < end && is_digit(*p)) p++;
    return p == end ? 0 : -1;
}

static int parse_iso_time(const char *text, Py_ssize_t length, IsoTime *t)
{
    const char *end = text + length, *zone = text;
    int field[4];
    while (zone < end && *zone != '+' && *zone != '-' && *zone != 'Z') zone++;
    if (read_clock(text, zone, field) < 0) return -1;
    t->m.hour = field[0];
    t->m.minute = field[1];
    t->m.second = field[2];
    t->m.microsecond = field[3];
    t->zone = zone < end;
    t->offset = t->offset_microsecond = 0;
    if (zone == end) return 0;
    if (*zone == 'Z') return zone + 1 == end ? 0 : -1;
    if (read_clock(zone + 1, end, field) < 0) return -1;
    int sign = *zone == '-' ? -1 : 1;
    t->offset = sign * (field[0] * 3600 + field[1] * 60 + field[2]);
    t->offset_microsecond = sign * field[3];
    return 0;
}

/* None or a timezone */
static PyObject *parse_zone(const IsoTime *t)
{
    if (!t->zone) Py_RETURN_NONE;
    if (t->offset == 0) return Py_NewRef((PyObject *)&timezone_utc);
    PyObject *offset = delta_make_carrying(0, t->offset, t->offset_microsecond);
    PyObject *zone = offset ? timezone_make(offset, NULL) : NULL;
    Py_XDECREF(offset);
    return zone;
}

static PyObject *invalid(PyObject *text)
{
    PyErr_Clear();
    return PyErr_Format(PyExc_ValueError, "Invalid isoformat string: %R", text);
}

static bool check_str(PyObject *text)
{
    if (PyUnicode_Check(text)) return true;
    PyErr_SetString(PyExc_TypeError, "fromisoformat: argument must be str");
    return false;
}

PyObject *parse_date_argument(PyObject *cls, PyObject *text)
{
    Moment m = {0};
    Py_ssize_t length;
    if (!check_str(text)) return NULL;
    const char *p = PyUnicode_AsUTF8AndSize(text, &length);
    if (!p) return PyErr_ExceptionMatches(PyExc_UnicodeError) ? invalid(text) : NULL;
    if ((length != 7 && length != 8 && length != 10) || parse_iso_date(p, length, &m) < 0) return invalid(text);
    return date_make_subclass(cls, m.year, m.month, m.day);
}

PyObject *parse_time_argument(PyObject *cls, PyObject *text)
{
    IsoTime t = {0};
    Py_ssize_t length;
    if (!check_str(text)) return NULL;
    const char *p = PyUnicode_AsUTF8AndSize(text, &length);
    if (!p) return PyErr_ExceptionMatches(PyExc_UnicodeError) ? invalid(text) : NULL;
    if (*p == 'T') {
        p++;
        length--;
    }
    if (parse_iso_time(p, length, &t) < 0) return invalid(text);
    PyObject *zone = parse_zone(&t);
    PyObject *result = zone ? time_make_subclass(cls, &t.m, zone) : NULL;
    Py_XDECREF(zone);
    return result;
}

/* Where the date ends. Week dates are ambiguous: 2020-W01-0000 is taken as YYYY-Www, '-', HHMM. */
static Py_ssize_t date_length(const char *p, Py_ssize_t length)
{
    if (length == 7) return 7;
    if (p[4] == '-') {
        if (p[5] != 'W') return 10;
        if (length < 8) return -1;
        if (length == 8 || p[8] != '-') return 8;
        if (length == 9) return -1;
        return length > 10 && is_digit(p[10]) ? 8 : 10;
    }
    if (p[4] != 'W') return 8;
    Py_ssize_t at = 7;
    while (at < length && is_digit(p[at])) at++;
    if (at < 9) return at;
    return at % 2 == 0 ? 7 : 8;
}

/* UTF-8 of the text; a surrogate may stand at one of the places where the separator can be, and is read as 'T'. NEW in *clean. */
static const char *datetime_text(PyObject *text, PyObject **clean, Py_ssize_t *size)
{
    static const int8_t places[] = { 7, 8, 10 };
    Py_ssize_t length = PyUnicode_GET_LENGTH(text);
    *clean = NULL;
    if (length < 7) return NULL;
    for (size_t i = 0; i < ARRAY_LENGTH(places); i++) {
        Py_ssize_t at = places[i];
        if (at >= length || !Py_UNICODE_IS_SURROGATE(PyUnicode_READ_CHAR(text, at))) continue;
        PyObject *copy = PyUnicode_New(length, PyUnicode_MAX_CHAR_VALUE(text));
        if (!copy) return NULL;
        if (PyUnicode_CopyCharacters(copy, 0, text, 0, length) < 0 || PyUnicode_WriteChar(copy, at, 'T') < 0) {
            Py_DECREF(copy);
            return NULL;
        }
        *clean = copy;
        return PyUnicode_AsUTF8AndSize(copy, size);
    }
    *clean = Py_NewRef(text);
    return PyUnicode_AsUTF8AndSize(text, size);
}

static int character_size(unsigned char first) { return first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4; }

PyObject *parse_datetime_argument(PyObject *cls, PyObject *text)
{
    IsoTime t = {0};
    Py_ssize_t length = 0;
    PyObject *clean, *result = NULL;
    if (!check_str(text)) return NULL;
    const char *p = datetime_text(text, &clean, &length);
    if (!p) {
        bool is_error = PyErr_Occurred() && !PyErr_ExceptionMatches(PyExc_UnicodeError);
        if (!is_error) invalid(text);
        goto done;
    }
    Py_ssize_t date = date_length(p, length);
    int status = date < 0 || date > length ? -1 : parse_iso_date(p, date, &t.m);
    if (status == 0 && length - date > 1) {
        Py_ssize_t skip = date + character_size((unsigned char)p[date]);
        status = parse_iso_time(p + skip, length - skip, &t);
    }
    if (status < 0) {
        invalid(text);
        goto done;
    }
    PyObject *zone = parse_zone(&t);
    if (zone) result = datetime_make_subclass(cls, &t.m, zone);
    Py_XDECREF(zone);
done:
    Py_XDECREF(clean);
    return result;
}
