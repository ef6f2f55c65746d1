/* The module _datetime, the C API capsule, and the constants of the types. */
#include "datetime_private.h"
#include "objects/types_extern.h"

static Date date_min = { PyObject_HEAD_INIT(&date_type) .hashcode = -1, .data = { 0, 1, 1, 1 } };
static Date date_max = { PyObject_HEAD_INIT(&date_type) .hashcode = -1, .data = { 9999 >> 8, 9999 & 255, 12, 31 } };
static Time time_min = { PyObject_HEAD_INIT(&time_type) .hashcode = -1 };
static Time time_max = { PyObject_HEAD_INIT(&time_type) .hashcode = -1, .data = { 23, 59, 59, 999999 >> 16, 999999 >> 8 & 255, 999999 & 255 } };
static DateTime datetime_min = { PyObject_HEAD_INIT(&datetime_type) .hashcode = -1, .data = { 0, 1, 1, 1 } };
static DateTime datetime_max = { PyObject_HEAD_INIT(&datetime_type) .hashcode = -1, .data = { 9999 >> 8, 9999 & 255, 12, 31, 23, 59, 59,
                                 999999 >> 16, 999999 >> 8 & 255, 999999 & 255 } };

int timezone_constants(PyObject *dict);

static int add_range(PyTypeObject *type, PyObject *min, PyObject *max, PyObject *resolution)
{
    PyObject *dict = type->tp_dict;
    return PyDict_SetItemString(dict, "min", min) < 0 || PyDict_SetItemString(dict, "max", max) < 0 ||
           PyDict_SetItemString(dict, "resolution", resolution) < 0 ? -1 : 0;
}

/* When the types have just become ready, before they are shared. */
int datetime_types_init(void)
{
    return add_range(&timedelta_type, OBJECT(&delta_min), OBJECT(&delta_max), OBJECT(&delta_microsecond)) < 0 ||
           add_range(&date_type, OBJECT(&date_min), OBJECT(&date_max), OBJECT(&delta_day)) < 0 ||
           add_range(&time_type, OBJECT(&time_min), OBJECT(&time_max), OBJECT(&delta_microsecond)) < 0 ||
           add_range(&datetime_type, OBJECT(&datetime_min), OBJECT(&datetime_max), OBJECT(&delta_microsecond)) < 0 ||
           timezone_constants(timezone_type.tp_dict) < 0 ? -1 : 0;
}

/* ---- the C API ------------------------------------------------------------------------------------------------------------------------ */

static PyObject *api_date(int year, int month, int day, PyTypeObject *type) { return date_make(type, year, month, day); }

static PyObject *api_datetime_fold(int year, int month, int day, int hour, int minute, int second, int microsecond, PyObject *tzinfo,
                                   int fold, PyTypeObject *type)
{
    return datetime_make(type, &(Moment){ year, month, day, hour, minute, second, microsecond, fold }, tzinfo);
}

static PyObject *api_datetime(int year, int month, int day, int hour, int minute, int second, int microsecond, PyObject *tzinfo,
                              PyTypeObject *type)
{
    return api_datetime_fold(year, month, day, hour, minute, second, microsecond, tzinfo, 0, type);
}

static PyObject *api_time_fold(int hour, int minute, int second, int microsecond, PyObject *tzinfo, int fold, PyTypeObject *type)
{
    return time_make(type, &(Moment){ 0, 0, 0, hour, minute, second, microsecond, fold }, tzinfo);
}

static PyObject *api_time(int hour, int minute, int second, int microsecond, PyObject *tzinfo, PyTypeObject *type)
{
    return api_time_fold(hour, minute, second, microsecond, tzinfo, 0, type);
}

static PyObject *api_delta(int days, int seconds, int microseconds, int normalize, PyTypeObject *type)
{
    if (normalize) return delta_from_wide(type, (Wide)days * MICROSECONDS_A_DAY + (int64_t)seconds * 1000000 + microseconds);
    return delta_make(type, days, seconds, microseconds);
}

static PyDateTime_CAPI datetime_api = {
    .DateType = &date_type, .DateTimeType = &datetime_type, .TimeType = &time_type, .DeltaType = &timedelta_type, .TZInfoType = &tzinfo_type,
    .TimeZone_UTC = (PyObject *)&timezone_utc,
    .Date_FromDate = api_date, .DateTime_FromDateAndTime = api_datetime, .Time_FromTime = api_time, .Delta_FromDelta = api_delta,
    .TimeZone_FromTimeZone = timezone_make,
    .DateTime_FromTimestamp = datetime_fromtimestamp, .Date_FromTimestamp = date_fromtimestamp_tuple,
    .DateTime_FromDateAndTimeAndFold = api_datetime_fold, .Time_FromTimeAndFold = api_time_fold,
};

/* ---- module ----------------------------------------------------------------------------------------------------------------------------- */

static int datetime_exec(PyObject *module)
{
    PyTypeObject *const types[] = { &date_type, &datetime_type, &time_type, &timedelta_type, &tzinfo_type, &timezone_type };
    for (size_t i = 0; i < ARRAY_LENGTH(types); i++)
        if (PyModule_AddType(module, types[i]) < 0) return -1;
    if (PyModule_AddIntConstant(module, "MINYEAR", YEAR_MIN) < 0 || PyModule_AddIntConstant(module, "MAXYEAR", YEAR_MAX) < 0) return -1;
    if (PyModule_AddObjectRef(module, "UTC", OBJECT(&timezone_utc)) < 0) return -1;
    return PyModule_Add(module, "datetime_CAPI", PyCapsule_New(&datetime_api, PyDateTime_CAPSULE_NAME, NULL));
}

static PyModuleDef_Slot datetime_slots[] = { SLOT(mod_exec, datetime_exec), MODULE_SLOTS_COMMON, {0} };

static struct PyModuleDef datetime_module = {
    PyModuleDef_HEAD_INIT, .m_name = "_datetime", .m_doc = "Fast implementation of the datetime type.", .m_slots = datetime_slots,
};

PyMODINIT_FUNC PyInit__datetime(void) { return PyModuleDef_Init(&datetime_module); }
