/* time: a time of day, with or without a zone. */
#include "datetime_private.h"

/* ---- making ------------------------------------------------------------------------------------------------------------------- */

static PyObject *time_alloc(PyTypeObject *type, PyObject *tzinfo)
{
    bool aware = tzinfo != Py_None;
    Time *self = (Time *)(type == &time_type ? object_alloc(thread_get(), type, aware ? sizeof(Time) : offsetof(Time, tzinfo))
                                             : type->tp_alloc(type, aware));
    if (!self) return NULL;
    self->hashcode = -1;
    self->hastzinfo = aware;
    self->fold = 0;
    if (aware) self->tzinfo = Py_NewRef(tzinfo);
    return (PyObject *)self;
}

static void time_set(Time *self, const Moment *m)
{
    self->data[0] = (unsigned char)m->hour;
    self->data[1] = (unsigned char)m->minute;
    self->data[2] = (unsigned char)m->second;
    self->data[3] = (unsigned char)(m->microsecond >> 16);
    self->data[4] = (unsigned char)(m->microsecond >> 8);
    self->data[5] = (unsigned char)m->microsecond;
    self->fold = (unsigned char)m->fold;
}

PyObject *time_make(PyTypeObject *type, const Moment *m, PyObject *tzinfo)
{
    if (calendar_check_time(m) < 0 || tzinfo_check(tzinfo) < 0) return NULL;
    PyObject *self = time_alloc(type, tzinfo);
    if (self) time_set(TIME(self), m);
    return self;
}

PyObject *time_make_subclass(PyObject *cls, const Moment *m, PyObject *tzinfo)
{
    if (cls == (PyObject *)&time_type) return time_make(&time_type, m, tzinfo);
    PyObject *self = PyObject_CallFunction(cls, "iiiiO", m->hour, m->minute, m->second, m->microsecond, tzinfo);
    if (self && m->fold && is_time(self)) TIME(self)->fold = (unsigned char)m->fold;
    return self;
}

static PyObject *time_from_pickle(PyTypeObject *type, PyObject *state, PyObject *tzinfo)
{
    if (tzinfo != Py_None && !is_tzinfo(tzinfo)) return PyErr_Format(PyExc_TypeError, "bad tzinfo state arg");
    PyObject *self = time_alloc(type, tzinfo);
    if (!self) return NULL;
    memcpy(TIME(self)->data, PyBytes_AS_STRING(state), _PyDateTime_TIME_DATASIZE);
    TIME(self)->fold = TIME(self)->data[0] >> 7;
    TIME(self)->data[0] &= 0x7F;
    return self;
}

static PyObject *time_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = { "hour", "minute", "second", "microsecond", "tzinfo", "fold", NULL };
    Py_ssize_t n = PyTuple_GET_SIZE(args);
    PyObject *tzinfo = Py_None;
    Moment m = {0};
    if (n == 1 || n == 2) {
        PyObject *state;
        int found = pickle_state(PyTuple_GET_ITEM(args, 0), _PyDateTime_TIME_DATASIZE, 0, 0x7F, "time", &state);
        if (found < 0) return NULL;
        if (found) {
            PyObject *self = time_from_pickle(type, state, n == 2 ? PyTuple_GET_ITEM(args, 1) : Py_None);
            Py_DECREF(state);
            return self;
        }
    }
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|iiiiO$i", keywords, &m.hour, &m.minute, &m.second, &m.microsecond, &tzinfo, &m.fold))
        return NULL;
    return time_make(type, &m, tzinfo);
}

static PyObject *time_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    int field[4] = {0};
    if (nargs <= 4 && !kwnames) {
        Py_ssize_t i = 0;
        while (i < nargs && small_int_value(args[i], &field[i])) i++;
        if (i == nargs)
            return time_make((PyTypeObject *)type,
                             &(Moment){ .hour = field[0], .minute = field[1], .second = field[2], .microsecond = field[3] }, Py_None);
    }
    return vectorcall_new(type, args, nargs, kwnames);
}

static void time_dealloc(PyObject *self)
{
    if (TIME(self)->hastzinfo) Py_XDECREF(TIME(self)->tzinfo);
    Py_TYPE(self)->tp_free(self);
}

BUILTIN_O(time, fromisoformat, "($type, object, /)", "A time from text in ISO 8601 format.") { return parse_time_argument(self, arg); }

/* ---- zone --------------------------------------------------------------------------------------------------------------------------- */

BUILTIN_NOARGS(time, utcoffset, "($self, /)", "What the zone's utcoffset() gives for None.") { return tzinfo_utcoffset(time_zone(self), Py_None); }
BUILTIN_NOARGS(time, dst, "($self, /)", "What the zone's dst() gives for None.") { return tzinfo_dst(time_zone(self), Py_None); }
BUILTIN_NOARGS(time, tzname, "($self, /)", "What the zone's tzname() gives for None.") { return tzinfo_tzname(time_zone(self), Py_None); }

/* ---- text --------------------------------------------------------------------------------------------------------------------------- */

static PyObject *time_repr(PyObject *self)
{
    Moment m = time_moment(self);
    const char *type = Py_TYPE(self)->tp_name;
    PyObject *text = m.microsecond ? PyUnicode_FromFormat("%s(%d, %d, %d, %d)", type, m.hour, m.minute, m.second, m.microsecond)
                     : m.second    ? PyUnicode_FromFormat("%s(%d, %d, %d)", type, m.hour, m.minute, m.second)
                                   : PyUnicode_FromFormat("%s(%d, %d)", type, m.hour, m.minute);
    return text_with_zone(text, m.fold, time_zone(self));
}

static PyObject *time_iso_text(PyObject *self, int precision)
{
    Moment m = time_moment(self);
    char text[16 + OFFSET_TEXT_MAX], *at = text_iso_time(text, &m, precision);
    if (TIME(self)->hastzinfo && !(at = text_zone_offset(at, time_zone(self), Py_None, ":"))) return NULL;
    return PyUnicode_FromStringAndSize(text, at - text);
}

#define ISOFORMAT_SIGNATURE "($self, /, timespec='auto')"
BUILTIN(time, isoformat, KEYWORDS, ISOFORMAT_SIGNATURE,
        "The text [HH[:MM[:SS[.mmm[uuu]]]]][+HH:MM].\n\ntimespec says how much of it: 'auto', 'hours', 'minutes', 'seconds',\n"
        "'milliseconds' or 'microseconds'.")
{
    int precision = ISO_AUTO;
    return arg[0] && timespec_argument(arg[0], 1, &precision) < 0 ? NULL : time_iso_text(self, precision);
}

static PyObject *time_str(PyObject *self) { return PyObject_CallMethodNoArgs(self, STR(isoformat)); }

/* A time is formatted as that time on January 1, 1900. */
static PyObject *time_strftime(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = { "format", NULL };
    PyObject *format;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "U:strftime", keywords, &format)) return NULL;
    PyObject *tuple = Py_BuildValue("iiiiiiiii", 1900, 1, 1, PyDateTime_TIME_GET_HOUR(self), PyDateTime_TIME_GET_MINUTE(self),
                                    PyDateTime_TIME_GET_SECOND(self), 0, 1, -1);
    PyObject *result = text_strftime(self, format, tuple, Py_None);
    Py_XDECREF(tuple);
    return result;
}

static PyObject *time___format__(PyObject *self, PyObject *args) { return text_format(self, args); }

/* ---- comparison, hash -------------------------------------------------------------------------------------------------------------------- */

static int seconds_of_day(PyObject *self)
{
    return PyDateTime_TIME_GET_HOUR(self) * 3600 + PyDateTime_TIME_GET_MINUTE(self) * 60 + PyDateTime_TIME_GET_SECOND(self);
}

static PyObject *time_richcompare(PyObject *a, PyObject *b, int op)
{
    if (!is_time(b)) Py_RETURN_NOTIMPLEMENTED;
    if (time_zone(a) == time_zone(b)) return compare_result(memcmp(TIME(a)->data, TIME(b)->data, _PyDateTime_TIME_DATASIZE), op);
    PyObject *result = NULL, *left = tzinfo_utcoffset(time_zone(a), Py_None), *right = left ? tzinfo_utcoffset(time_zone(b), Py_None) : NULL;
    if (!right) goto done;
    if (left == right || (left != Py_None && right != Py_None && delta_compare(left, right) == 0)) {
        result = compare_result(memcmp(TIME(a)->data, TIME(b)->data, _PyDateTime_TIME_DATASIZE), op);
    } else if (left != Py_None && right != Py_None) {
        int x = seconds_of_day(a) - DELTA(left)->days * SECONDS_A_DAY - DELTA(left)->seconds;
        int y = seconds_of_day(b) - DELTA(right)->days * SECONDS_A_DAY - DELTA(right)->seconds;
        int difference = x - y;
        if (!difference) difference = PyDateTime_TIME_GET_MICROSECOND(a) - PyDateTime_TIME_GET_MICROSECOND(b);
        result = compare_result(difference, op);
    } else if (op == Py_EQ || op == Py_NE) {
        result = PyBool_FromLong(op == Py_NE);
    } else {
        PyErr_SetString(PyExc_TypeError, "can't compare offset-naive and offset-aware times");
    }
done:
    Py_XDECREF(left);
    Py_XDECREF(right);
    return result;
}

/* Times that are equal in UTC hash equally; fold has no part in it. */
static Py_hash_t time_hash(PyObject *self)
{
    if (TIME(self)->hashcode != -1) return TIME(self)->hashcode;
    PyObject *offset, *zoneless = self;
    if (PyDateTime_TIME_GET_FOLD(self)) {
        Moment m = time_moment(self);
        m.fold = 0;
        if (!(zoneless = time_make(&time_type, &m, time_zone(self)))) return -1;
    } else {
        Py_INCREF(zoneless);
    }
    offset = tzinfo_utcoffset(time_zone(zoneless), Py_None);
    Py_DECREF(zoneless);
    if (!offset) return -1;
    if (offset == Py_None) {
        TIME(self)->hashcode = hash_bytes(TIME(self)->data, _PyDateTime_TIME_DATASIZE);
    } else {
        int seconds = seconds_of_day(self) - DELTA(offset)->days * SECONDS_A_DAY - DELTA(offset)->seconds;
        int microseconds = PyDateTime_TIME_GET_MICROSECOND(self) - DELTA(offset)->microseconds;
        PyObject *difference = delta_make_carrying(0, seconds, microseconds);
        if (difference) TIME(self)->hashcode = PyObject_Hash(difference);
        Py_XDECREF(difference);
    }
    Py_DECREF(offset);
    return TIME(self)->hashcode;
}

/* ---- the rest --------------------------------------------------------------------------------------------------------------------------------- */

BUILTIN(time, replace, KEYWORDS, "($self, /, hour=unchanged, minute=unchanged, second=unchanged,\n"
        "        microsecond=unchanged, tzinfo=unchanged, *, fold=unchanged)", "A time with some fields changed.")
{
    Moment m = time_moment(self);
    if ((arg[0] && field_argument(arg[0], &m.hour) < 0) || (arg[1] && field_argument(arg[1], &m.minute) < 0) ||
        (arg[2] && field_argument(arg[2], &m.second) < 0) || (arg[3] && field_argument(arg[3], &m.microsecond) < 0) ||
        (arg[5] && field_argument(arg[5], &m.fold) < 0)) return NULL;
    if (m.fold != 0 && m.fold != 1) return PyErr_Format(PyExc_ValueError, "fold must be either 0 or 1");
    return time_make_subclass((PyObject *)Py_TYPE(self), &m, arg[4] ? arg[4] : time_zone(self));
}

static PyObject *time_state(PyObject *self, int protocol)
{
    PyObject *state = PyBytes_FromStringAndSize((char *)TIME(self)->data, _PyDateTime_TIME_DATASIZE);
    if (!state) return NULL;
    if (protocol > 3 && PyDateTime_TIME_GET_FOLD(self)) PyBytes_AS_STRING(state)[0] |= (char)0x80;
    PyObject *result = TIME(self)->hastzinfo ? Py_BuildValue("O(NO)", Py_TYPE(self), state, TIME(self)->tzinfo)
                                             : Py_BuildValue("O(N)", Py_TYPE(self), state);
    return result;
}

static PyObject *time___reduce_ex__(PyObject *self, PyObject *args)
{
    int protocol;
    return PyArg_ParseTuple(args, "i:__reduce_ex__", &protocol) ? time_state(self, protocol) : NULL;
}

BUILTIN_NOARGS(time, __reduce__, "($self, /)", "__reduce__() -> (cls, state)") { return time_state(self, 2); }

static PyObject *time_hour(PyObject *self, void *unused) { return PyLong_FromLong(PyDateTime_TIME_GET_HOUR(self)); }
static PyObject *time_minute(PyObject *self, void *unused) { return PyLong_FromLong(PyDateTime_TIME_GET_MINUTE(self)); }
static PyObject *time_second(PyObject *self, void *unused) { return PyLong_FromLong(PyDateTime_TIME_GET_SECOND(self)); }
static PyObject *time_microsecond(PyObject *self, void *unused) { return PyLong_FromLong(PyDateTime_TIME_GET_MICROSECOND(self)); }
static PyObject *time_tzinfo(PyObject *self, void *unused) { return Py_NewRef(time_zone(self)); }
static PyObject *time_fold(PyObject *self, void *unused) { return PyLong_FromLong(PyDateTime_TIME_GET_FOLD(self)); }

static PyGetSetDef time_getset[] = {
    { "hour", time_hour }, { "minute", time_minute }, { "second", time_second }, { "microsecond", time_microsecond },
    { "tzinfo", time_tzinfo }, { "fold", time_fold }, {0},
};

static PyMethodDef time_methods[] = {
    METHOD_TEXT(time, isoformat, 0, ISOFORMAT_SIGNATURE),
    METHOD_DICT(time, strftime, 0, "format -> text in the style of strftime()."),
    METHOD_TUPLE(time, __format__, 0, "Formats self with strftime."),
    METHOD(time, utcoffset),
    METHOD(time, tzname),
    METHOD(time, dst),
    METHOD(time, replace),
    { "__replace__", (PyCFunction)(void (*)(void))time_replace, METH_FASTCALL | METH_KEYWORDS,
      PyDoc_STR("__replace__($self, /, **changes)\n--\n\nThe same as replace().") },
    METHOD_CLASS(time, fromisoformat),
    METHOD_TUPLE(time, __reduce_ex__, 0, "__reduce_ex__(proto) -> (cls, state)"),
    METHOD(time, __reduce__),
    {0},
};

PyTypeObject time_type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "datetime.time",
    .tp_basicsize = sizeof(Time),
    .tp_dealloc = time_dealloc,
    .tp_repr = time_repr,
    .tp_hash = time_hash,
    .tp_str = time_str,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_doc = PyDoc_STR("time([hour[, minute[, second[, microsecond[, tzinfo]]]]]) --> a time object\n\n"
                        "All arguments are optional. tzinfo may be None, or an instance of\n"
                        "a tzinfo subclass. The remaining arguments may be ints.\n"),
    .tp_richcompare = time_richcompare,
    .tp_methods = time_methods,
    .tp_getset = time_getset,
    .tp_new = time_new,
    .tp_vectorcall = time_vectorcall,
};
