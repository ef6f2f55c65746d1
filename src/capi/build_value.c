/* Py_BuildValue: objects from C values by a format text.
 *
 * 'N' units steal a reference whatever happens: when building fails half way, the units that remain are built all the
 * same and thrown away, so that no reference is lost. */
#include "taipan.h"

#include <stdarg.h>
#include <string.h>

typedef struct Build { const char *format; va_list *values; } Build;

static PyObject *build_one(Build *build);

/* Units up to end, nested ones counted once; -1 with SystemError. */
static Py_ssize_t count_units(const char *format, char end)
{
    Py_ssize_t count = 0;
    int level = 0;
    while (level > 0 || *format != end) {
        switch (*format) {
        case '\0':
            PyErr_SetString(PyExc_SystemError, "unmatched paren in format");
            return -1;
        case '(': case '[': case '{':
            if (level++ == 0) count++;
            break;
        case ')': case ']': case '}':
            level--;
            break;
        case '#': case '&': case ',': case ':': case ' ': case '\t':
            break;
        default:
            if (level == 0) count++;
        }
        format++;
    }
    return count;
}

static bool end_is(Build *build, char end)
{
    while (end && (*build->format == ',' || *build->format == ':' || *build->format == ' ' || *build->format == '\t')) build->format++;
    if (end && *build->format != end) {
        PyErr_SetString(PyExc_SystemError, "Unmatched paren in format");
        return false;
    }
    if (end) build->format++;
    return true;
}

/* After a failure: builds n units more and drops them. */
static void build_and_drop(Build *build, char end, Py_ssize_t n)
{
    PyObject *error = PyErr_GetRaisedException();
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *o = build_one(build);
        if (o) Py_DECREF(o);
        else PyErr_Clear();
    }
    if (*build->format == end && end) build->format++;
    PyErr_SetRaisedException(error);
}

static PyObject *build_sequence(Build *build, char end, Py_ssize_t n, bool list)
{
    if (n < 0) return NULL;
    PyObject *result = list ? PyList_New(n) : PyTuple_New(n);
    if (!result) {
        build_and_drop(build, end, n);
        return NULL;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *item = build_one(build);
        if (!item) {
            build_and_drop(build, end, n - i - 1);
            Py_DECREF(result);
            return NULL;
        }
        if (list) PyList_SET_ITEM(result, i, item);
        else PyTuple_SET_ITEM(result, i, item);
    }
    if (!end_is(build, end)) Py_CLEAR(result);
    return result;
}

static PyObject *build_dict(Build *build, Py_ssize_t n)
{
    if (n < 0) return NULL;
    if (n % 2) {
        PyErr_SetString(PyExc_SystemError, "Bad dict format");
        build_and_drop(build, '}', n);
        return NULL;
    }
    PyObject *dict = PyDict_New();
    if (!dict) {
        build_and_drop(build, '}', n);
        return NULL;
    }
    for (Py_ssize_t i = 0; i < n; i += 2) {
        PyObject *key = build_one(build), *value;
        if (!key) {
            build_and_drop(build, '}', n - i - 1);
            Py_DECREF(dict);
            return NULL;
        }
        value = build_one(build);
        if (!value || PyDict_SetItem(dict, key, value) < 0) {
            build_and_drop(build, '}', n - i - 2);
            Py_DECREF(key);
            Py_XDECREF(value);
            Py_DECREF(dict);
            return NULL;
        }
        Py_DECREF(key);
        Py_DECREF(value);
    }
    if (!end_is(build, '}')) Py_CLEAR(dict);
    return dict;
}

/* The length that a '#' behind the unit gives, or -1: find the end of the text. */
static Py_ssize_t optional_length(Build *build)
{
    if (*build->format != '#') return -1;
    build->format++;
    return va_arg(*build->values, Py_ssize_t);
}

static PyObject *build_text(Build *build, char code)
{
    const char *text = va_arg(*build->values, const char *);
    Py_ssize_t length = optional_length(build);
    if (!text) Py_RETURN_NONE;
    if (length < 0) {
        size_t n = strlen(text);
        if (n > PY_SSIZE_T_MAX) {
            PyErr_SetString(PyExc_OverflowError, code == 'y' ? "string too long for Python bytes" : "string too long for Python string");
            return NULL;
        }
        length = (Py_ssize_t)n;
    }
    return code == 'y' ? PyBytes_FromStringAndSize(text, length) : PyUnicode_FromStringAndSize(text, length);
}

static PyObject *build_wide_text(Build *build)
{
    const wchar_t *text = va_arg(*build->values, const wchar_t *);
    Py_ssize_t length = optional_length(build);
    if (!text) Py_RETURN_NONE;
    return PyUnicode_FromWideChar(text, length < 0 ? -1 : length);
}

static PyObject *build_object(Build *build, char code)
{
    if (*build->format == '&') {
        typedef PyObject *Converter(void *);
        Converter *convert = va_arg(*build->values, Converter *);
        void *arg = va_arg(*build->values, void *);
        build->format++;
        return convert(arg);
    }
    PyObject *o = va_arg(*build->values, PyObject *);
    if (o) return code == 'N' ? o : Py_NewRef(o);
    if (!PyErr_Occurred()) PyErr_SetString(PyExc_SystemError, "NULL object passed to Py_BuildValue");
    return NULL;
}

static PyObject *build_one(Build *build)
{
    for (;;) {
        char code = *build->format++;
        switch (code) {
        case '(': return build_sequence(build, ')', count_units(build->format, ')'), false);
        case '[': return build_sequence(build, ']', count_units(build->format, ']'), true);
        case '{': return build_dict(build, count_units(build->format, '}'));
        case 'b': case 'B': case 'h': case 'i':
            return PyLong_FromLong(va_arg(*build->values, int));
        case 'H': return PyLong_FromLong(va_arg(*build->values, unsigned int));
        case 'I': return PyLong_FromUnsignedLong(va_arg(*build->values, unsigned int));
        case 'n': return PyLong_FromSsize_t(va_arg(*build->values, Py_ssize_t));
        case 'l': return PyLong_FromLong(va_arg(*build->values, long));
        case 'k': return PyLong_FromUnsignedLong(va_arg(*build->values, unsigned long));
        case 'L': return PyLong_FromLongLong(va_arg(*build->values, long long));
        case 'K': return PyLong_FromUnsignedLongLong(va_arg(*build->values, unsigned long long));
        case 'u': return build_wide_text(build);
        case 'f': case 'd':
            return PyFloat_FromDouble(va_arg(*build->values, double));
        case 'D': return PyComplex_FromCComplex(*va_arg(*build->values, Py_complex *));
        case 'c': {
            char byte = (char)va_arg(*build->values, int);
            return PyBytes_FromStringAndSize(&byte, 1);
        }
        case 'C': return PyUnicode_FromOrdinal(va_arg(*build->values, int));
        case 's': case 'z': case 'U': case 'y':
            return build_text(build, code);
        case 'N': case 'S': case 'O':
            return build_object(build, code);
        case ':': case ',': case ' ': case '\t':
            break;
        default:
            if (!code) build->format--;
            PyErr_SetString(PyExc_SystemError, "bad format char passed to Py_BuildValue");
            return NULL;
        }
    }
}

static PyObject *build_value(const char *format, va_list *values)
{
    Build build = { format, values };
    Py_ssize_t n = count_units(format, '\0');
    if (n < 0) return NULL;
    if (n == 0) Py_RETURN_NONE;
    return n == 1 ? build_one(&build) : build_sequence(&build, '\0', n, false);
}

PyObject *Py_VaBuildValue(const char *format, va_list values)
{
    va_list copy;
    va_copy(copy, values);
    PyObject *result = build_value(format, &copy);
    va_end(copy);
    return result;
}

PyObject *Py_BuildValue(const char *format, ...)
{
    va_list values;
    va_start(values, format);
    PyObject *result = build_value(format, &values);
    va_end(values);
    return result;
}

PyAPI_FUNC(PyObject *) _Py_BuildValue_SizeT(const char *, ...);
PyAPI_FUNC(PyObject *) _Py_VaBuildValue_SizeT(const char *, va_list);

PyObject *_Py_BuildValue_SizeT(const char *format, ...)
{
    va_list values;
    va_start(values, format);
    PyObject *result = build_value(format, &values);
    va_end(values);
    return result;
}

PyObject *_Py_VaBuildValue_SizeT(const char *format, va_list values) { return Py_VaBuildValue(format, values); }
