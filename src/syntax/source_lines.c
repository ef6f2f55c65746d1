/* The text of a line of a source file, for SyntaxErrors and tracebacks. */
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
