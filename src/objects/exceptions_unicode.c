/* UnicodeError and the three that say where text could not be converted: the types, and PyUnicode*Error_* of the C API.
 *
 * start and end are kept as they were given; whoever reads them gets them moved inside the object, so that codecs can rely on
 * 0 <= start < length (0 for the empty object) and 1 <= end <= length. */
#include "objects/exceptions_private.h"

#define UNICODE(self) ((PyUnicodeErrorObject *)(self))

SIMPLE_EXCEPTION(UnicodeError, exc_ValueError, "Unicode related error.")

/* ---- fields ---------------------------------------------------------------------------------------------------------------- */

/* The attribute as bytes or str. New reference, or NULL with TypeError. */
static PyObject *field_get(PyObject *value, const char *name, bool bytes)
{
    if (!value) {
        PyErr_Format(PyExc_TypeError, "%.200s attribute not set", name);
        return NULL;
    }
    if (!(bytes ? PyBytes_Check(value) : PyUnicode_Check(value))) {
        PyErr_Format(PyExc_TypeError, "%.200s attribute must be %s", name, bytes ? "bytes" : "unicode");
        return NULL;
    }
    return Py_NewRef(value);
}

static Py_ssize_t object_length(PyObject *self, bool bytes)
{
    PyObject *object = field_get(UNICODE(self)->object, "object", bytes);
    if (!object) return -1;
    Py_ssize_t n = bytes ? PyBytes_GET_SIZE(object) : PyUnicode_GET_LENGTH(object);
    Py_DECREF(object);
    return n;
}

static int start_get(PyObject *self, bool bytes, Py_ssize_t *start)
{
    Py_ssize_t n = object_length(self, bytes);
    if (n < 0) return -1;
    *start = UNICODE(self)->start;
    if (*start < 0) *start = 0;
    if (*start >= n) *start = n ? n - 1 : 0;
    return 0;
}

static int end_get(PyObject *self, bool bytes, Py_ssize_t *end)
{
    Py_ssize_t n = object_length(self, bytes);
    if (n < 0) return -1;
    *end = UNICODE(self)->end;
    if (*end < 1) *end = 1;
    if (*end > n) *end = n;
    return 0;
}

static int reason_set(PyObject *self, const char *reason)
{
    PyObject *text = PyUnicode_FromString(reason);
    if (!text) return -1;
    SET_FIELD(UNICODE(self)->reason, text);
    return 0;
}

#define DEFINE_ACCESSORS(Kind, bytes)                                                                                   \
    PyObject *PyUnicode##Kind##Error_GetObject(PyObject *self) { return field_get(UNICODE(self)->object, "object", bytes); } \
    PyObject *PyUnicode##Kind##Error_GetReason(PyObject *self) { return field_get(UNICODE(self)->reason, "reason", false); } \
    int PyUnicode##Kind##Error_SetReason(PyObject *self, const char *reason) { return reason_set(self, reason); }       \
    int PyUnicode##Kind##Error_GetStart(PyObject *self, Py_ssize_t *start) { return start_get(self, bytes, start); }    \
    int PyUnicode##Kind##Error_GetEnd(PyObject *self, Py_ssize_t *end) { return end_get(self, bytes, end); }            \
    int PyUnicode##Kind##Error_SetStart(PyObject *self, Py_ssize_t start)                                               \
    {                                                                                                                   \
        UNICODE(self)->start = start;                                                                                   \
        return 0;                                                                                                       \
    }                                                                                                                   \
    int PyUnicode##Kind##Error_SetEnd(PyObject *self, Py_ssize_t end)                                                   \
    {                                                                                                                   \
        UNICODE(self)->end = end;                                                                                       \
        return 0;                                                                                                       \
    }
DEFINE_ACCESSORS(Encode, false)
DEFINE_ACCESSORS(Decode, true)
DEFINE_ACCESSORS(Translate, false)

PyObject *PyUnicodeEncodeError_GetEncoding(PyObject *self) { return field_get(UNICODE(self)->encoding, "encoding", false); }
PyObject *PyUnicodeDecodeError_GetEncoding(PyObject *self) { return field_get(UNICODE(self)->encoding, "encoding", false); }

PyObject *PyUnicodeDecodeError_Create(const char *encoding, const char *object, Py_ssize_t length, Py_ssize_t start, Py_ssize_t end,
                                      const char *reason)
{
    return PyObject_CallFunction(PyExc_UnicodeDecodeError, "sy#nns", encoding, object, length, start, end, reason);
}

/* ---- slots ------------------------------------------------------------------------------------------------------------------- */

static int unicodeerror_clear(PyObject *self)
{
    Py_CLEAR(UNICODE(self)->encoding);
    Py_CLEAR(UNICODE(self)->object);
    Py_CLEAR(UNICODE(self)->reason);
    return exception_clear(self);
}

static int unicodeerror_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(UNICODE(self)->encoding);
    Py_VISIT(UNICODE(self)->object);
    Py_VISIT(UNICODE(self)->reason);
    return exception_traverse(self, visit, arg);
}

static void fields_set(PyObject *self, PyObject *encoding, PyObject *object, Py_ssize_t start, Py_ssize_t end, PyObject *reason)
{
    SET_FIELD(UNICODE(self)->encoding, Py_XNewRef(encoding));
    SET_FIELD(UNICODE(self)->object, Py_NewRef(object));
    SET_FIELD(UNICODE(self)->reason, Py_NewRef(reason));
    UNICODE(self)->start = start;
    UNICODE(self)->end = end;
}

static int encodeerror_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    PyObject *encoding, *object, *reason;
    Py_ssize_t start, end;
    if (exception_init(self, args, kwargs) < 0) return -1;
    if (!PyArg_ParseTuple(args, "UUnnU", &encoding, &object, &start, &end, &reason)) return -1;
    fields_set(self, encoding, object, start, end, reason);
    return 0;
}

static int decodeerror_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    PyObject *encoding, *object, *reason;
    Py_ssize_t start, end;
    if (exception_init(self, args, kwargs) < 0) return -1;
    if (!PyArg_ParseTuple(args, "UOnnU", &encoding, &object, &start, &end, &reason)) return -1;
    if (PyBytes_Check(object)) {
        fields_set(self, encoding, object, start, end, reason);
        return 0;
    }
    Py_buffer view;                                        /* any buffer will do; what is kept is bytes */
    if (PyObject_GetBuffer(object, &view, PyBUF_SIMPLE) < 0) return -1;
    PyObject *bytes = PyBytes_FromStringAndSize(view.buf, view.len);
    PyBuffer_Release(&view);
    if (!bytes) return -1;
    fields_set(self, encoding, bytes, start, end, reason);
    Py_DECREF(bytes);
    return 0;
}

static int translateerror_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    PyObject *object, *reason;
    Py_ssize_t start, end;
    if (exception_init(self, args, kwargs) < 0) return -1;
    if (!PyArg_ParseTuple(args, "UnnU", &object, &start, &end, &reason)) return -1;
    fields_set(self, NULL, object, start, end, reason);
    return 0;
}

/* The text of a field that may have been set to anything, or deleted. */
static PyObject *field_text(PyObject *value) { return PyObject_Str(value ? value : Py_None); }

static void escape_character(Py_UCS4 c, char *out, size_t room)
{
    PyOS_snprintf(out, room, c <= 0xff ? "\\x%02x" : c <= 0xffff ? "\\u%04x" : "\\U%08x", (unsigned)c);
}

static PyObject *encodeerror_str(PyObject *self)
{
    PyUnicodeErrorObject *e = UNICODE(self);
    if (!e->object || !PyUnicode_Check(e->object)) return PyUnicode_FromString("");       /* __init__ has not run */
    PyObject *reason = field_text(e->reason), *encoding = reason ? field_text(e->encoding) : NULL, *result = NULL;
    if (!encoding) goto done;
    Py_ssize_t n = PyUnicode_GET_LENGTH(e->object), start = e->start, end = e->end;
    if (start >= 0 && start < n && end == start + 1) {
        char shown[12];
        escape_character(PyUnicode_READ_CHAR(e->object, start), shown, sizeof shown);
        result = PyUnicode_FromFormat("'%U' codec can't encode character '%s' in position %zd: %U", encoding, shown, start, reason);
    }
    else result = PyUnicode_FromFormat("'%U' codec can't encode characters in position %zd-%zd: %U", encoding, start, end - 1, reason);
done:
    Py_XDECREF(reason);
    Py_XDECREF(encoding);
    return result;
}

static PyObject *decodeerror_str(PyObject *self)
{
    PyUnicodeErrorObject *e = UNICODE(self);
    if (!e->object || !PyBytes_Check(e->object)) return PyUnicode_FromString("");
    PyObject *reason = field_text(e->reason), *encoding = reason ? field_text(e->encoding) : NULL, *result = NULL;
    if (!encoding) goto done;
    Py_ssize_t n = PyBytes_GET_SIZE(e->object), start = e->start, end = e->end;
    if (start >= 0 && start < n && end == start + 1) {
        int byte = (unsigned char)PyBytes_AS_STRING(e->object)[start];
        result = PyUnicode_FromFormat("'%U' codec can't decode byte 0x%02x in position %zd: %U", encoding, byte, start, reason);
    }
    else result = PyUnicode_FromFormat("'%U' codec can't decode bytes in position %zd-%zd: %U", encoding, start, end - 1, reason);
done:
    Py_XDECREF(reason);
    Py_XDECREF(encoding);
    return result;
}

static PyObject *translateerror_str(PyObject *self)
{
    PyUnicodeErrorObject *e = UNICODE(self);
    if (!e->object || !PyUnicode_Check(e->object)) return PyUnicode_FromString("");
    PyObject *reason = field_text(e->reason), *result;
    if (!reason) return NULL;
    Py_ssize_t n = PyUnicode_GET_LENGTH(e->object), start = e->start, end = e->end;
    if (start >= 0 && start < n && end == start + 1) {
        char shown[12];
        escape_character(PyUnicode_READ_CHAR(e->object, start), shown, sizeof shown);
        result = PyUnicode_FromFormat("can't translate character '%s' in position %zd: %U", shown, start, reason);
    }
    else result = PyUnicode_FromFormat("can't translate characters in position %zd-%zd: %U", start, end - 1, reason);
    Py_DECREF(reason);
    return result;
}

static PyMemberDef unicodeerror_members[] = {
    { "encoding", _Py_T_OBJECT, offsetof(PyUnicodeErrorObject, encoding), 0, "exception encoding" },
    { "object", _Py_T_OBJECT, offsetof(PyUnicodeErrorObject, object), 0, "exception object" },
    { "start", Py_T_PYSSIZET, offsetof(PyUnicodeErrorObject, start), 0, "exception start" },
    { "end", Py_T_PYSSIZET, offsetof(PyUnicodeErrorObject, end), 0, "exception end" },
    { "reason", _Py_T_OBJECT, offsetof(PyUnicodeErrorObject, reason), 0, "exception reason" },
    { 0 },
};

#define UNICODE_SLOTS .tp_dealloc = exception_dealloc, .tp_traverse = unicodeerror_traverse, .tp_clear = unicodeerror_clear, \
                      .tp_members = unicodeerror_members, .tp_new = exception_new
SPECIAL_EXCEPTION(UnicodeEncodeError, exc_UnicodeError, PyUnicodeErrorObject, "Unicode encoding error.", UNICODE_SLOTS,
                  .tp_init = encodeerror_init, .tp_str = encodeerror_str)
SPECIAL_EXCEPTION(UnicodeDecodeError, exc_UnicodeError, PyUnicodeErrorObject, "Unicode decoding error.", UNICODE_SLOTS,
                  .tp_init = decodeerror_init, .tp_str = decodeerror_str)
SPECIAL_EXCEPTION(UnicodeTranslateError, exc_UnicodeError, PyUnicodeErrorObject, "Unicode translation error.", UNICODE_SLOTS,
                  .tp_init = translateerror_init, .tp_str = translateerror_str)
