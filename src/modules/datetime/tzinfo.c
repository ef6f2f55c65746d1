/* tzinfo, the abstract base of time zones; timezone, a fixed offset; and how the other types ask a zone. */
#include "datetime_private.h"

static Delta utc_max_offset = { PyObject_HEAD_INIT(&timedelta_type) .hashcode = -1, .seconds = 86340 };
static Delta utc_min_offset = { PyObject_HEAD_INIT(&timedelta_type) .hashcode = -1, .days = -1, .seconds = 60 };
TimeZone timezone_utc = { PyObject_HEAD_INIT(&timezone_type) .offset = (PyObject *)&delta_zero };
static TimeZone timezone_min = { PyObject_HEAD_INIT(&timezone_type) .offset = (PyObject *)&utc_min_offset };
static TimeZone timezone_max = { PyObject_HEAD_INIT(&timezone_type) .offset = (PyObject *)&utc_max_offset };

/* ---- asking a zone ------------------------------------------------------------------------------------------------------------ */

int tzinfo_check(PyObject *o)
{
    if (o == Py_None || is_tzinfo(o)) return 0;
    PyErr_Format(PyExc_TypeError, "tzinfo argument must be None or of a tzinfo subclass, not type '%s'", Py_TYPE(o)->tp_name);
    return -1;
}

/* Strictly less than a day either way. */
static bool offset_in_range(PyObject *o)
{
    Delta *d = DELTA(o);
    return d->days == 0 || (d->days == -1 && (d->seconds || d->microseconds));
}

static PyObject *ask_offset(PyObject *tzinfo, const char *method, PyObject *name, PyObject *argument)
{
    if (tzinfo == Py_None) Py_RETURN_NONE;
    PyObject *offset = PyObject_CallMethodOneArg(tzinfo, name, argument);
    if (!offset || offset == Py_None) return offset;
    if (!is_delta(offset)) {
        PyErr_Format(PyExc_TypeError, "tzinfo.%s() must return None or timedelta, not '%.200s'", method, Py_TYPE(offset)->tp_name);
    } else if (!offset_in_range(offset)) {
        PyErr_Format(PyExc_ValueError, "offset must be a timedelta strictly between -timedelta(hours=24) and timedelta(hours=24).");
    } else {
        return offset;
    }
    Py_DECREF(offset);
    return NULL;
}

PyObject *tzinfo_utcoffset(PyObject *tzinfo, PyObject *argument)
{
    if (Py_IS_TYPE(tzinfo, &timezone_type)) return Py_NewRef(TIMEZONE(tzinfo)->offset);
    return ask_offset(tzinfo, "utcoffset", STR(utcoffset), argument);
}

PyObject *tzinfo_dst(PyObject *tzinfo, PyObject *argument)
{
    if (Py_IS_TYPE(tzinfo, &timezone_type)) Py_RETURN_NONE;
    return ask_offset(tzinfo, "dst", STR(dst), argument);
}

static PyObject *zone_text(TimeZone *z)
{
    if (z->name) return Py_NewRef(z->name);
    if (z == &timezone_utc || (Py_IS_TYPE(z->offset, &timedelta_type) && !delta_is_true(z->offset))) return PyUnicode_FromString("UTC");
    return timezone_offset_name(z->offset);
}

PyObject *tzinfo_tzname(PyObject *tzinfo, PyObject *argument)
{
    if (tzinfo == Py_None) Py_RETURN_NONE;
    if (Py_IS_TYPE(tzinfo, &timezone_type)) return zone_text(TIMEZONE(tzinfo));
    PyObject *name = PyObject_CallMethodOneArg(tzinfo, STR(tzname), argument);
    if (!name || name == Py_None || PyUnicode_Check(name)) return name;
    PyErr_Format(PyExc_TypeError, "tzinfo.tzname() must return None or a string, not '%s'", Py_TYPE(name)->tp_name);
    Py_DECREF(name);
    return NULL;
}

PyObject *tzinfo_fromutc(PyObject *tzinfo, PyObject *when) { return PyObject_CallMethodOneArg(tzinfo, STR(fromutc), when); }

/* ---- tzinfo --------------------------------------------------------------------------------------------------------------------- */

static COLD PyObject *not_implemented(const char *method)
{
    return PyErr_Format(PyExc_NotImplementedError, "a tzinfo subclass must implement %s()", method);
}

BUILTIN_O(zone_base, tzname, "($self, object, /)", "The zone's name at a datetime.") { return not_implemented("tzname"); }
BUILTIN_O(zone_base, utcoffset, "($self, object, /)", "The offset from UTC at a datetime, positive in the east.") { return not_implemented("utcoffset"); }
BUILTIN_O(zone_base, dst, "($self, object, /)", "The part of the offset that is daylight saving time.") { return not_implemented("dst"); }

static int fromutc_check(PyObject *self, PyObject *when)
{
    if (!is_datetime(when)) PyErr_SetString(PyExc_TypeError, "fromutc: argument must be a datetime");
    else if (datetime_zone(when) != self) PyErr_SetString(PyExc_ValueError, "fromutc: dt.tzinfo is not self");
    else return 0;
    return -1;
}

/* NULL with exception when the answer is None, too. */
static PyObject *required(PyObject *answer, const char *text)
{
    if (answer != Py_None) return answer;
    Py_DECREF(answer);
    PyErr_SetString(PyExc_ValueError, text);
    return NULL;
}

BUILTIN_O(zone_base, fromutc, "($self, object, /)", "A datetime in UTC as local time.")
{
    PyObject *offset = NULL, *dst = NULL, *standard = NULL, *result = NULL;
    if (fromutc_check(self, arg) < 0) return NULL;
    offset = required(datetime_utcoffset_of(arg), "fromutc: non-None utcoffset() result required");
    if (!offset) goto done;
    if (!(dst = required(tzinfo_dst(datetime_zone(arg), arg), "fromutc: non-None dst() result required"))) goto done;
    standard = delta_make_carrying((int64_t)DELTA(offset)->days - DELTA(dst)->days, DELTA(offset)->seconds - DELTA(dst)->seconds,
                                   DELTA(offset)->microseconds - DELTA(dst)->microseconds);      /* whatever subclasses subtract */
    if (!standard || !(result = datetime_add_delta(arg, standard, 1))) goto done;
    if (!is_datetime(result)) {                             /* a subclass may make anything */
        PyErr_Format(PyExc_TypeError, "fromutc: %.200s() must return a datetime, not %.200s", Py_TYPE(arg)->tp_name, Py_TYPE(result)->tp_name);
        Py_CLEAR(result);
        goto done;
    }
    Py_SETREF(dst, tzinfo_dst(datetime_zone(result), result));
    if (!dst) {
        Py_CLEAR(result);
    } else if (dst == Py_None) {
        PyErr_SetString(PyExc_ValueError, "fromutc: tz.dst() gave inconsistent results; cannot convert");
        Py_CLEAR(result);
    } else if (delta_is_true(dst)) {
        Py_SETREF(result, datetime_add_delta(result, dst, 1));
    }
done:
    Py_XDECREF(offset);
    Py_XDECREF(dst);
    Py_XDECREF(standard);
    return result;
}

BUILTIN_NOARGS(zone_base, __reduce__, "($self, /)", "-> (cls, state)")
{
    PyObject *getinitargs = NULL, *args = NULL, *state = NULL, *result = NULL;
    if (PyObject_GetOptionalAttrString(self, "__getinitargs__", &getinitargs) < 0) return NULL;
    args = getinitargs ? PyObject_CallNoArgs(getinitargs) : PyTuple_New(0);
    if (args && (state = PyObject_CallMethod(self, "__getstate__", NULL))) result = PyTuple_Pack(3, (PyObject *)Py_TYPE(self), args, state);
    Py_XDECREF(getinitargs);
    Py_XDECREF(args);
    Py_XDECREF(state);
    return result;
}

static PyMethodDef tzinfo_methods[] = {
    METHOD(zone_base, tzname), METHOD(zone_base, utcoffset), METHOD(zone_base, dst), METHOD(zone_base, fromutc), METHOD(zone_base, __reduce__), {0},
};

PyTypeObject tzinfo_type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "datetime.tzinfo",
    .tp_basicsize = sizeof(PyDateTime_TZInfo),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_doc = PyDoc_STR("Abstract base class for time zone info objects."),
    .tp_methods = tzinfo_methods,
    .tp_new = PyType_GenericNew,
};

/* ---- timezone -------------------------------------------------------------------------------------------------------------------- */

static PyObject *timezone_create(PyObject *offset, PyObject *name)
{
    TimeZone *z = (TimeZone *)object_alloc(thread_get(), &timezone_type, sizeof *z);
    if (!z) return NULL;
    z->offset = Py_NewRef(offset);
    z->name = Py_XNewRef(name);
    return (PyObject *)z;
}

PyObject *timezone_make(PyObject *offset, PyObject *name)
{
    if (!name && !delta_is_true(offset)) return Py_NewRef((PyObject *)&timezone_utc);
    if (!offset_in_range(offset))
        return PyErr_Format(PyExc_ValueError,
                            "offset must be a timedelta strictly between -timedelta(hours=24) and timedelta(hours=24), not %R.", offset);
    return timezone_create(offset, name);
}

static PyObject *timezone_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = { "offset", "name", NULL };
    PyObject *offset, *name = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O!|U:timezone", keywords, &timedelta_type, &offset, &name)) return NULL;
    return timezone_make(offset, name);
}

static void timezone_dealloc(PyObject *self)
{
    Py_CLEAR(TIMEZONE(self)->offset);
    Py_CLEAR(TIMEZONE(self)->name);
    Py_TYPE(self)->tp_free(self);
}

static PyObject *timezone_richcompare(PyObject *self, PyObject *other, int op)
{
    if ((op != Py_EQ && op != Py_NE) || !PyObject_TypeCheck(other, &timezone_type)) Py_RETURN_NOTIMPLEMENTED;
    return compare_result(delta_compare(TIMEZONE(self)->offset, TIMEZONE(other)->offset), op);
}

static Py_hash_t timezone_hash(PyObject *self) { return timedelta_type.tp_hash(TIMEZONE(self)->offset); }

static PyObject *timezone_repr(PyObject *self)
{
    TimeZone *z = TIMEZONE(self);
    const char *type = Py_TYPE(self)->tp_name;
    if (z == &timezone_utc) return PyUnicode_FromFormat("%s.utc", type);
    return z->name ? PyUnicode_FromFormat("%s(%R, %R)", type, z->offset, z->name) : PyUnicode_FromFormat("%s(%R)", type, z->offset);
}

PyObject *timezone_offset_name(PyObject *offset)
{
    char text[3 + OFFSET_TEXT_MAX] = "UTC";
    char *end = text_offset(text + 3, offset, ":");
    return PyUnicode_FromStringAndSize(text, end - text);
}

static PyObject *timezone_str(PyObject *self) { return zone_text(TIMEZONE(self)); }

static int zone_argument(PyObject *when, const char *method)
{
    if (when == Py_None || is_datetime(when)) return 0;
    PyErr_Format(PyExc_TypeError, "%s(dt) argument must be a datetime instance or None, not %.200s", method, Py_TYPE(when)->tp_name);
    return -1;
}

BUILTIN_O(timezone, tzname, "($self, object, /)", "The name given when the timezone was made, or 'UTC(+|-)HH:MM'.")
{
    return zone_argument(arg, "tzname") < 0 ? NULL : zone_text(TIMEZONE(self));
}

BUILTIN_O(timezone, utcoffset, "($self, object, /)", "The fixed offset.")
{
    return zone_argument(arg, "utcoffset") < 0 ? NULL : Py_NewRef(TIMEZONE(self)->offset);
}

BUILTIN_O(timezone, dst, "($self, object, /)", "None: a fixed offset knows no daylight saving time.")
{
    return zone_argument(arg, "dst") < 0 ? NULL : Py_NewRef(Py_None);
}

BUILTIN_O(timezone, fromutc, "($self, object, /)", "A datetime in UTC as local time.")
{
    return fromutc_check(self, arg) < 0 ? NULL : datetime_add_delta(arg, TIMEZONE(self)->offset, 1);
}

BUILTIN_NOARGS(timezone, __getinitargs__, "($self, /)", "For pickle: the arguments of the constructor.")
{
    TimeZone *z = TIMEZONE(self);
    return z->name ? PyTuple_Pack(2, z->offset, z->name) : PyTuple_Pack(1, z->offset);
}

static PyMethodDef timezone_methods[] = {
    METHOD(timezone, tzname), METHOD(timezone, utcoffset), METHOD(timezone, dst), METHOD(timezone, fromutc),
    METHOD(timezone, __getinitargs__), {0},
};

PyTypeObject timezone_type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "datetime.timezone",
    .tp_basicsize = sizeof(TimeZone),
    .tp_dealloc = timezone_dealloc,
    .tp_repr = timezone_repr,
    .tp_hash = timezone_hash,
    .tp_str = timezone_str,
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_doc = PyDoc_STR("Fixed offset from UTC implementation of tzinfo."),
    .tp_richcompare = timezone_richcompare,
    .tp_methods = timezone_methods,
    .tp_base = &tzinfo_type,
    .tp_new = timezone_new,
};

/* The class attributes, as the types are made ready. */
int timezone_constants(PyObject *dict);
int timezone_constants(PyObject *dict)
{
    return PyDict_SetItemString(dict, "utc", OBJECT(&timezone_utc)) < 0 || PyDict_SetItemString(dict, "min", OBJECT(&timezone_min)) < 0 ||
           PyDict_SetItemString(dict, "max", OBJECT(&timezone_max)) < 0 ? -1 : 0;
}
