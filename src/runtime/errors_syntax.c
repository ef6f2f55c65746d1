/* Where a SyntaxError is: PyErr_SyntaxLocation*, and the line of source that goes with it; PyOS_snprintf. */
#include "runtime/errors.h"

#include "runtime/state.h"

#include <stdio.h>

/* ---- one line of a file ------------------------------------------------------------------------------------------------------ */

/* The encoding that a line of the first two names, in name (room bytes); false if it names none. */
static bool find_coding(const char *line, size_t length, char *name, size_t room)
{
    size_t i = 0, n = 0;
    while (i < length && (line[i] == ' ' || line[i] == '\t' || line[i] == '\f')) i++;
    if (i == length || line[i] != '#') return false;
    for (; i + 7 < length; i++) {
        if (memcmp(line + i, "coding", 6) != 0 || (line[i + 6] != ':' && line[i + 6] != '=')) continue;
        for (i += 7; i < length && (line[i] == ' ' || line[i] == '\t'); i++) {}
        for (; i < length && n + 1 < room && (Py_ISALNUM(line[i]) || strchr("-_.", line[i])); i++) name[n++] = line[i];
        name[n] = '\0';
        return n > 0;
    }
    return false;
}

/* What the first two lines of the file say about its encoding; the file is rewound. */
static bool file_coding(FILE *file, char *name, size_t room)
{
    char line[512];
    bool found = false;
    for (int i = 0; i < 2 && !found && fgets(line, sizeof line, file); i++) {
        size_t skip = i == 0 && strncmp(line, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
        found = find_coding(line + skip, strlen(line + skip), name, room);
        for (skip = 0; line[skip] == ' ' || line[skip] == '\t' || line[skip] == '\f'; skip++) {}
        if (line[skip] != '#' && line[skip] != '\n' && line[skip] != '\r') break;    /* code: the next line does not count */
    }
    rewind(file);
    return found;
}

/* Line number lineno (from 1) with "\n" for whatever ends it, undecodable bytes replaced; NULL when there is none or on errors, with
 * no exception then. */
static PyObject *read_line(FILE *file, int lineno)
{
    if (!file) return NULL;
    char *line = NULL, coding[80];
    bool has_coding = file_coding(file, coding, sizeof coding);
    size_t length = 0, room = 0;
    int c = 0, number = 1;
    PyObject *text = NULL;
    while (number < lineno && (c = getc(file)) != EOF) {
        if (c == '\r') {
            int next = getc(file);
            if (next != '\n' && next != EOF) ungetc(next, file);
            c = '\n';
        }
        number += c == '\n';
    }
    if (number < lineno) goto done;
    while ((c = getc(file)) != EOF) {
        if (length + 1 > room) {
            char *larger = realloc(line, room = room ? 2 * room : 256);
            if (!larger) goto done;
            line = larger;
        }
        if (c == '\r') c = '\n';
        line[length++] = (char)c;
        if (c == '\n') break;
    }
    if (!length) goto done;
    size_t skip = lineno == 1 && length >= 3 && memcmp(line, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    text = PyUnicode_Decode(line + skip, (Py_ssize_t)(length - skip), has_coding ? coding : "utf-8", "replace");
done:
    free(line);
    fclose(file);
    if (!text) PyErr_Clear();
    return text;
}

PyObject *PyErr_ProgramText(const char *filename, int lineno)
{
    if (!filename || !*filename || lineno <= 0) return NULL;
    return read_line(fopen(filename, "rbe"), lineno);
}

PyObject *PyErr_ProgramTextObject(PyObject *filename, int lineno)
{
    PyObject *path;
    if (!filename || lineno <= 0) return NULL;
    if (!PyUnicode_FSConverter(filename, &path)) {
        PyErr_Clear();
        return NULL;
    }
    PyObject *text = PyErr_ProgramText(PyBytes_AS_STRING(path), lineno);
    Py_DECREF(path);
    return text;
}

/* ---- attributes of the current SyntaxError -------------------------------------------------------------------------------------- */

static void set_quietly(PyObject *exc, PyObject *name, PyObject *value)
{
    if (PyObject_SetAttr(exc, name, value ? value : Py_None) < 0) PyErr_Clear();
}

static void set_number(PyObject *exc, PyObject *name, int value, bool known)
{
    PyObject *number = known ? PyLong_FromLong(value) : NULL;
    if (known && !number) PyErr_Clear();
    set_quietly(exc, name, number);
    Py_XDECREF(number);
}

static bool lacks(PyObject *exc, PyObject *name)
{
    PyObject *value;
    int found = PyObject_GetOptionalAttr(exc, name, &value);
    if (found < 0) PyErr_Clear();
    Py_XDECREF(value);
    return found == 0;
}

/* Columns count from 1, as the attributes do; -1 is unknown. Adds what the current exception does not say yet; any exception may be current, and all errors are swallowed. */
static void set_location(PyObject *filename, int lineno, int column, int end_lineno, int end_column)
{
    PyObject *exc = PyErr_GetRaisedException();
    if (!exc) return;
    set_number(exc, STR(lineno), lineno, true);
    set_number(exc, STR(offset), column, column >= 0);
    set_number(exc, STR(end_lineno), end_lineno, end_lineno >= 0);
    set_number(exc, STR(end_offset), end_column, end_column >= 0);
    if (filename) {
        set_quietly(exc, STR(filename), filename);
        PyObject *text = PyErr_ProgramTextObject(filename, lineno);
        if (text) set_quietly(exc, STR(text), text);
        Py_XDECREF(text);
    }
    if (!Py_IS_TYPE(exc, (PyTypeObject *)PyExc_SyntaxError)) {     /* what printing a traceback reads */
        if (lacks(exc, STR(msg))) {
            PyObject *text = PyObject_Str(exc);
            if (!text) PyErr_Clear();
            set_quietly(exc, STR(msg), text);
            Py_XDECREF(text);
        }
        if (lacks(exc, STR(print_file_and_line))) set_quietly(exc, STR(print_file_and_line), NULL);
    }
    PyErr_SetRaisedException(exc);
}

void PyErr_RangedSyntaxLocationObject(PyObject *filename, int lineno, int column, int end_lineno, int end_column)
{
    set_location(filename, lineno, column, end_lineno, end_column);
}

void PyErr_SyntaxLocationObject(PyObject *filename, int lineno, int column) { set_location(filename, lineno, column, lineno, -1); }

void PyErr_SyntaxLocationEx(const char *filename, int lineno, int column)
{
    PyObject *exc = PyErr_GetRaisedException(), *name = NULL;
    if (filename && !(name = PyUnicode_DecodeFSDefault(filename))) PyErr_Clear();
    PyErr_SetRaisedException(exc);
    set_location(name, lineno, column, lineno, -1);
    Py_XDECREF(name);
}

void PyErr_SyntaxLocation(const char *filename, int lineno) { PyErr_SyntaxLocationEx(filename, lineno, -1); }

/* ---- snprintf that always ends the text --------------------------------------------------------------------------------------------- */

int PyOS_vsnprintf(char *text, size_t size, const char *format, va_list args)
{
    if (size > INT_MAX - 512) {
        if (size) text[0] = '\0';
        return -666;
    }
    int n = vsnprintf(text, size, format, args);
    if (size) text[size - 1] = '\0';
    return n;
}

int PyOS_snprintf(char *text, size_t size, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = PyOS_vsnprintf(text, size, format, args);
    va_end(args);
    return n;
}
