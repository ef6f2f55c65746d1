/* SyntaxErrors and SyntaxWarnings with a place, for the compiler and its neighbours; the text of a line of a file. */
#include "syntax/syntax.h"
#include "syntax/tokenizer.h"

/* The whole file as bytes; NULL without exception when it cannot be read. */
static PyObject *read_whole(PyObject *filename)
{
    PyObject *encoded = NULL, *bytes = NULL;
    if (!PyUnicode_Check(filename) || !PyUnicode_FSConverter(filename, &encoded)) {
        PyErr_Clear();
        return NULL;
    }
    FILE *f = fopen(PyBytes_AS_STRING(encoded), "rb");
    Py_DECREF(encoded);
    if (!f) return NULL;
    size_t room = 8192, n = 0;
    char *buffer = PyMem_Malloc(room);
    while (buffer) {
        size_t got = fread(buffer + n, 1, room - n, f);
        n += got;
        if (n < room) break;
        char *bigger = PyMem_Realloc(buffer, room *= 2);
        if (!bigger) PyMem_Free(buffer);
        buffer = bigger;
    }
    if (buffer && !ferror(f)) bytes = PyBytes_FromStringAndSize(buffer, (Py_ssize_t)n);
    fclose(f);
    PyMem_Free(buffer);
    PyErr_Clear();
    return bytes;
}

PyObject *syntax_line_of_file(PyObject *filename, int lineno)
{
    if (lineno <= 0 || !filename) return NULL;
    PyObject *pending = PyErr_GetRaisedException();
    PyObject *bytes = read_whole(filename), *line = NULL;
    if (bytes) {
        Py_ssize_t length = PyBytes_GET_SIZE(bytes);
        bool added;
        char *text = source_decode(PyBytes_AS_STRING(bytes), &length, false, filename, &added);
        const char *p = text, *newline;
        for (int i = 1; p && i < lineno; i++) {
            newline = strchr(p, '\n');
            p = newline ? newline + 1 : NULL;
        }
        if (p && *p) {
            newline = strchr(p, '\n');
            line = PyUnicode_DecodeUTF8(p, newline ? newline + 1 - p : (Py_ssize_t)strlen(p), "replace");
        }
        PyMem_Free(text);
        Py_DECREF(bytes);
        PyErr_Clear();
    }
    PyErr_SetRaisedException(pending);
    return line;
}

/* As CPython's compiler does it, columns stay counts of bytes here. */
static int raise_at(PyObject *filename, Span span, PyObject *message)
{
    PyObject *line = NULL, *value = NULL;
    if (!message) return -1;
    line = syntax_line_of_file(filename, span.lineno);
    if (!line && PyErr_Occurred()) goto done;
    value = Py_BuildValue("(O(OinOin))", message, filename ? filename : Py_None, span.lineno,
                          (Py_ssize_t)span.col_offset + 1, line ? line : Py_None, span.end_lineno,
                          (Py_ssize_t)span.end_col_offset + 1);
    if (value) PyErr_SetObject(PyExc_SyntaxError, value);
done:
    Py_XDECREF(line);
    Py_XDECREF(value);
    Py_DECREF(message);
    return -1;
}

int syntax_error_at(PyObject *filename, Span span, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    PyObject *message = PyUnicode_FromFormatV(format, args);
    va_end(args);
    return raise_at(filename, span, message);
}

int syntax_warn_at(PyObject *filename, Span span, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    PyObject *message = PyUnicode_FromFormatV(format, args);
    va_end(args);
    if (!message) return -1;
    if (PyErr_WarnExplicitObject(PyExc_SyntaxWarning, message, filename, span.lineno, NULL, NULL) < 0) {
        if (!PyErr_ExceptionMatches(PyExc_SyntaxWarning)) {
            Py_DECREF(message);
            return -1;
        }
        PyErr_Clear();                                     /* as an error it can show where */
        return raise_at(filename, span, message);
    }
    Py_DECREF(message);
    return 0;
}
