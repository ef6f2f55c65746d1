/* From Python's characters and texts to those of curses. */
#include "curses_private.h"

#include <string.h>

/* The one byte that a character is in the window's encoding, or -1 when there is none; -2 with an exception. */
static long character_byte(PyCursesWindowObject *window, PyObject *o)
{
    Py_UCS4 c = PyUnicode_READ_CHAR(o, 0);
    if (c <= 128) return (long)c;
    CursesState *state = curses_state();
    const char *encoding = window ? window->encoding : state && state->encoding ? state->encoding : curses_encoding_of_locale();
    PyObject *bytes = PyUnicode_AsEncodedString(o, encoding, NULL);
    if (!bytes) return -2;
    long value = PyBytes_GET_SIZE(bytes) == 1 ? (unsigned char)PyBytes_AS_STRING(bytes)[0] : -1;
    Py_DECREF(bytes);
    return value;
}

static int byte_overflow(void)
{
    PyErr_SetString(PyExc_OverflowError, "byte doesn't fit in chtype");
    return -1;
}

static int wrong_length(PyObject *o)
{
    PyErr_Format(PyExc_TypeError, "expect bytes or str of length 1, or int, got a str of length %zi", PyUnicode_GET_LENGTH(o));
    return -1;
}

static int int_value(PyObject *o, long *value, const char *complaint)
{
    int overflow;
    *value = PyLong_AsLongAndOverflow(o, &overflow);
    if (!overflow) return 0;
    PyErr_SetString(PyExc_OverflowError, complaint);
    return -1;
}

static int chtype_of(long value, chtype *ch)
{
    *ch = (chtype)value;
    return (long)*ch == value ? 0 : byte_overflow();
}

/* bytes of length one, or an int. */
static int narrow(PyObject *o, chtype *ch, const char *complaint)
{
    long value;
    if (PyBytes_Check(o) && PyBytes_GET_SIZE(o) == 1) value = (unsigned char)PyBytes_AS_STRING(o)[0];
    else if (PyLong_CheckExact(o)) {
        if (int_value(o, &value, complaint) < 0) return -1;
    }
    else {
        PyErr_Format(PyExc_TypeError, "expect bytes or str of length 1, or int, got %s", Py_TYPE(o)->tp_name);
        return -1;
    }
    return chtype_of(value, ch);
}

int curses_to_chtype(PyCursesWindowObject *window, PyObject *o, chtype *ch)
{
    if (!PyUnicode_Check(o)) return narrow(o, ch, "byte doesn't fit in chtype");
    if (PyUnicode_GET_LENGTH(o) != 1) return wrong_length(o);
    long value = character_byte(window, o);
    if (value == -2) return -1;
    return value < 0 ? byte_overflow() : chtype_of(value, ch);
}

int curses_to_char(PyCursesWindowObject *window, PyObject *o, chtype *ch, wchar_t *wide)
{
    if (!PyUnicode_Check(o)) return narrow(o, ch, "int doesn't fit in long") < 0 ? -1 : TEXT_BYTE;
    if (PyUnicode_GET_LENGTH(o) != 1) return wrong_length(o);
    wide[0] = (wchar_t)PyUnicode_READ_CHAR(o, 0);
    wide[1] = 0;
    return TEXT_WIDE;
}

int curses_to_wchar(PyObject *o, wchar_t *wide)
{
    if (PyUnicode_Check(o)) {
        if (PyUnicode_GET_LENGTH(o) != 1) {
            PyErr_Format(PyExc_TypeError, "expect str of length 1 or int, got a str of length %zi", PyUnicode_GET_LENGTH(o));
            return -1;
        }
        *wide = (wchar_t)PyUnicode_READ_CHAR(o, 0);
        return 0;
    }
    if (!PyLong_CheckExact(o)) {
        PyErr_Format(PyExc_TypeError, "expect str of length 1 or int, got %s", Py_TYPE(o)->tp_name);
        return -1;
    }
    long value;
    if (int_value(o, &value, "int doesn't fit in long") < 0) return -1;
    *wide = (wchar_t)value;
    if (*wide == value) return 0;
    PyErr_SetString(PyExc_OverflowError, "character doesn't fit in wchar_t");
    return -1;
}

int curses_to_text(PyObject *o, const char **bytes, wchar_t **wide)
{
    if (PyUnicode_Check(o)) return (*wide = PyUnicode_AsWideCharString(o, NULL)) ? TEXT_WIDE : -1;
    char *text;
    if (PyBytes_Check(o)) {
        if (PyBytes_AsStringAndSize(o, &text, NULL) < 0) return -1;
        *bytes = text;
        return TEXT_BYTE;
    }
    PyErr_Format(PyExc_TypeError, "expect bytes or str, got %s", Py_TYPE(o)->tp_name);
    return -1;
}
