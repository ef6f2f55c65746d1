/* See memoryview_items.h. */
#include "objects/memoryview_items.h"

#include <string.h>

Py_ssize_t item_format(const char *format, char *code)
{
    if (format[0] == '@') format++;
    *code = format[0];
    if (!format[0] || format[1]) return -1;
    switch (format[0]) {
    case 'c': case 'b': case 'B': return sizeof(char);
    case 'h': case 'H': return sizeof(short);
    case 'i': case 'I': return sizeof(int);
    case 'l': case 'L': return sizeof(long);
    case 'q': case 'Q': return sizeof(long long);
    case 'n': case 'N': return sizeof(Py_ssize_t);
    case 'e': return 2;
    case 'f': return sizeof(float);
    case 'd': return sizeof(double);
    case '?': return sizeof(_Bool);
    case 'P': return sizeof(void *);
    default: return -1;
    }
}

#define LOAD(type, p) ({ type load_value; memcpy(&load_value, p, sizeof load_value); load_value; })

PyObject *item_unpack(const char *p, char code, const char *format)
{
    switch (code) {
    case 'B': return PyLong_FromLong(LOAD(unsigned char, p));
    case 'b': return PyLong_FromLong(LOAD(signed char, p));
    case 'h': return PyLong_FromLong(LOAD(short, p));
    case 'H': return PyLong_FromLong(LOAD(unsigned short, p));
    case 'i': return PyLong_FromLong(LOAD(int, p));
    case 'I': return PyLong_FromUnsignedLong(LOAD(unsigned int, p));
    case 'l': return PyLong_FromLong(LOAD(long, p));
    case 'L': return PyLong_FromUnsignedLong(LOAD(unsigned long, p));
    case 'q': return PyLong_FromLongLong(LOAD(long long, p));
    case 'Q': return PyLong_FromUnsignedLongLong(LOAD(unsigned long long, p));
    case 'n': return PyLong_FromSsize_t(LOAD(Py_ssize_t, p));
    case 'N': return PyLong_FromSize_t(LOAD(size_t, p));
    case '?': return PyBool_FromLong(*p != 0);
    case 'e': {
        double x = PyFloat_Unpack2(p, PY_LITTLE_ENDIAN);
        return x == -1.0 && PyErr_Occurred() ? NULL : PyFloat_FromDouble(x);
    }
    case 'f': return PyFloat_FromDouble(PyFloat_Unpack4(p, PY_LITTLE_ENDIAN));
    case 'd': return PyFloat_FromDouble(LOAD(double, p));
    case 'c': return PyBytes_FromStringAndSize(p, 1);
    case 'P': return PyLong_FromVoidPtr(LOAD(void *, p));
    default:
        PyErr_Format(PyExc_NotImplementedError, "memoryview: format %s not supported", format);
        return NULL;
    }
}

static COLD int wrong_type(const char *format)
{
    PyErr_Format(PyExc_TypeError, "memoryview: invalid type for format '%s'", format);
    return -1;
}

static COLD int wrong_value(const char *format)
{
    PyErr_Format(PyExc_ValueError, "memoryview: invalid value for format '%s'", format);
    return -1;
}

/* After a failed conversion: TypeErrors and OverflowErrors speak of the format instead. */
static COLD int explain(const char *format)
{
    if (PyErr_ExceptionMatches(PyExc_TypeError)) {
        PyErr_Clear();
        return wrong_type(format);
    }
    if (PyErr_ExceptionMatches(PyExc_OverflowError) || PyErr_ExceptionMatches(PyExc_ValueError)) {
        PyErr_Clear();
        return wrong_value(format);
    }
    return -1;
}

/* A signed integer of size bytes. */
static int pack_signed(char *p, PyObject *item, size_t size, const char *format)
{
    PyObject *index = PyNumber_Index(item);
    if (!index) return explain(format);
    long long value = PyLong_AsLongLong(index);
    Py_DECREF(index);
    if (value == -1 && PyErr_Occurred()) return explain(format);
    unsigned bits = (unsigned)size * 8;
    if (bits < 64 && (value < -(1LL << (bits - 1)) || value >= 1LL << (bits - 1))) return wrong_value(format);
    memcpy(p, &value, size);
    return 0;
}

static int pack_unsigned(char *p, PyObject *item, size_t size, const char *format)
{
    PyObject *index = PyNumber_Index(item);
    if (!index) return explain(format);
    unsigned long long value = PyLong_AsUnsignedLongLong(index);
    Py_DECREF(index);
    if (value == (unsigned long long)-1 && PyErr_Occurred()) return explain(format);
    if (size < 8 && value >> (size * 8)) return wrong_value(format);
    memcpy(p, &value, size);
    return 0;
}

_Static_assert(PY_LITTLE_ENDIAN, "the low bytes of a long long are the smaller types");

int item_pack(char *p, PyObject *item, char code, const char *format)
{
    char size_code;
    char native[2] = { code, 0 };
    size_t size = (size_t)item_format(native, &size_code);
    switch (code) {
    case 'b': case 'h': case 'i': case 'l': case 'q': case 'n':
        return pack_signed(p, item, size, format);
    case 'B': case 'H': case 'I': case 'L': case 'Q': case 'N':
        return pack_unsigned(p, item, size, format);
    case 'e': case 'f': case 'd': {
        double x = PyFloat_AsDouble(item);
        if (x == -1.0 && PyErr_Occurred()) return explain(format);
        if (code == 'd') memcpy(p, &x, sizeof x);
        else if (code == 'f') {
            float y = (float)x;
            memcpy(p, &y, sizeof y);
        }
        else if (PyFloat_Pack2(x, p, PY_LITTLE_ENDIAN) < 0) return explain(format);
        return 0;
    }
    case '?': {
        int truth = PyObject_IsTrue(item);
        if (truth < 0) return -1;
        *p = (char)truth;
        return 0;
    }
    case 'c':
        if (!PyBytes_Check(item)) return wrong_type(format);
        if (PyBytes_GET_SIZE(item) != 1) return wrong_value(format);
        *p = PyBytes_AS_STRING(item)[0];
        return 0;
    case 'P': {
        PyObject *index = PyNumber_Index(item);
        if (!index) return explain(format);
        void *value = PyLong_AsVoidPtr(index);
        Py_DECREF(index);
        if (!value && PyErr_Occurred()) return explain(format);
        memcpy(p, &value, sizeof value);
        return 0;
    }
    default:
        PyErr_Format(PyExc_NotImplementedError, "memoryview: format %s not supported", format);
        return -1;
    }
}

bool item_equal(const char *p, const char *q, char code)
{
    switch (code) {
    case 'f': return LOAD(float, p) == LOAD(float, q);
    case 'd': return LOAD(double, p) == LOAD(double, q);
    case 'e': return PyFloat_Unpack2(p, PY_LITTLE_ENDIAN) == PyFloat_Unpack2(q, PY_LITTLE_ENDIAN);
    case '?': return (*p != 0) == (*q != 0);
    default: {
        char native[2] = { code, 0 };
        return memcmp(p, q, (size_t)item_format(native, &code)) == 0;
    }
    }
}
