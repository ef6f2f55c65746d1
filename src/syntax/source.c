/* Bytes to text: line ends, byte order mark, coding cookie (PEP 263).
 *
 * UTF-8 is passed on as it is: bytes that are not valid UTF-8 are errors only where a token holds them, as in CPython. Other
 * encodings are decoded whole. */
#include "syntax/tokenizer.h"
#include "syntax/syntax.h"

char *source_translate_newlines(const char *source, Py_ssize_t *length, bool final_newline, bool *added)
{
    Py_ssize_t n = *length;
    *added = false;
    char *text = n > PY_SSIZE_T_MAX - 2 ? NULL : PyMem_Malloc((size_t)n + 2);
    if (!text) return (char *)PyErr_NoMemory();
    char *out = text;
    const char *p = source, *end = source + n;
    while (p != end) {
        const char *cr = memchr(p, '\r', (size_t)(end - p));
        size_t run = (size_t)((cr ? cr : end) - p);
        memcpy(out, p, run);
        out += run;
        p += run;
        if (!cr) break;
        *out++ = '\n';
        p++;
        if (p != end && *p == '\n') p++;
    }
    if (final_newline && out != text && out[-1] != '\n') {
        *out++ = '\n';
        *added = true;
    }
    *out = '\0';
    *length = out - text;
    return text;
}

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\014'; }

/* "latin-1" and its like have one name, and so has UTF-8; other names stay. */
static PyObject *canonical_name(const char *name, Py_ssize_t length)
{
    char low[13];
    Py_ssize_t n = length < 12 ? length : 12;
    for (Py_ssize_t i = 0; i < n; i++) low[i] = name[i] == '_' ? '-' : (char)Py_TOLOWER((uint8_t)name[i]);
    low[n] = '\0';
    if (!strcmp(low, "utf-8") || !strncmp(low, "utf-8-", 6)) return PyUnicode_FromString("utf-8");
    if (!strcmp(low, "latin-1") || !strcmp(low, "iso-8859-1") || !strcmp(low, "iso-latin-1") || !strncmp(low, "latin-1-", 8) ||
        !strncmp(low, "iso-8859-1-", 11) || !strncmp(low, "iso-latin-1-", 12))
        return PyUnicode_FromString("iso-8859-1");
    return PyUnicode_DecodeUTF8(name, length, "replace");
}

/* The cookie in one line: new str; NULL without exception: none. */
static PyObject *cookie_of_line(const char *line, Py_ssize_t length)
{
    const char *p = line, *end = line + length;
    while (p != end && is_blank(*p)) p++;
    if (p == end || *p != '#') return NULL;
    for (; end - p > 6; p++) {
        if (memcmp(p, "coding", 6) || (p[6] != ':' && p[6] != '=')) continue;
        const char *name = p + 7;
        while (name != end && (*name == ' ' || *name == '\t')) name++;
        const char *stop = name;
        while (stop != end && (Py_ISALNUM((uint8_t)*stop) || *stop == '-' || *stop == '_' || *stop == '.')) stop++;
        if (stop != name) return canonical_name(name, stop - name);
    }
    return NULL;
}

PyObject *source_coding_cookie(const char *source, Py_ssize_t length, bool whole_lines)
{
    const char *line = source, *end = source + length;
    for (int i = 0; i < 2 && line != end; i++) {
        const char *stop = line;
        while (stop != end && *stop != '\n' && *stop != '\r') stop++;
        if (stop == end && whole_lines) return NULL;
        PyObject *cookie = cookie_of_line(line, stop - line);
        if (cookie || PyErr_Occurred()) return cookie;
        const char *p = line;
        while (p != stop && is_blank(*p)) p++;
        if (p != stop && *p != '#') return NULL;           /* a cookie stands behind comments only */
        line = stop;
        if (line != end && *line == '\r') line++;
        if (line != end && *line == '\n' && (line == stop || line[-1] == '\r')) line++;
    }
    return NULL;
}

/* Turns the exception of a failed decoding into the SyntaxError that says so: no line is known. */
static COLD void raise_decoding_error(PyObject *filename)
{
    if (!PyErr_ExceptionMatches(PyExc_LookupError) && !PyErr_ExceptionMatches(PyExc_SyntaxError) &&
        !PyErr_ExceptionMatches(PyExc_ValueError))
        return;
    PyObject *error = PyErr_GetRaisedException();
    PyObject *message = PyObject_Str(error), *value = NULL;
    if (message) value = Py_BuildValue("(O(OiiO))", message, filename ? filename : Py_None, 0, -1, Py_None);
    if (value) PyErr_SetObject(PyExc_SyntaxError, value);
    Py_XDECREF(value);
    Py_XDECREF(message);
    Py_DECREF(error);
}

char *source_decode(const char *source, Py_ssize_t *length, bool final_newline, PyObject *filename, bool *added)
{
    Py_ssize_t n = *length;
    bool bom = n >= 3 && !memcmp(source, "\xef\xbb\xbf", 3);
    if (bom) source += 3, n -= 3;
    PyObject *cookie = source_coding_cookie(source, n, !final_newline), *decoded = NULL;
    char *text = NULL;
    if (!cookie && PyErr_Occurred()) return NULL;
    bool utf8 = !cookie || PyUnicode_EqualToUTF8(cookie, "utf-8");
    if (!utf8 && bom) {
        PyErr_Format(PyExc_SyntaxError, "encoding problem: %U with BOM", cookie);
        goto error;
    }
    text = source_translate_newlines(source, &n, final_newline, added);
    if (!text) goto error;
    if (!utf8) {
        const char *name = PyUnicode_AsUTF8(cookie), *data;
        Py_ssize_t size;
        if (!name || !(decoded = PyUnicode_Decode(text, n, name, NULL)) || !(data = PyUnicode_AsUTF8AndSize(decoded, &size)))
            goto error;
        PyMem_Free(text);
        if (!(text = PyMem_Malloc((size_t)size + 1))) {
            PyErr_NoMemory();
            goto error;
        }
        memcpy(text, data, (size_t)size + 1);
        n = (Py_ssize_t)strlen(text);                      /* a codec can make NULs: the text ends there */
    }
    Py_XDECREF(decoded);
    Py_XDECREF(cookie);
    *length = n;
    return text;
error:
    PyMem_Free(text);
    Py_XDECREF(decoded);
    Py_XDECREF(cookie);
    raise_decoding_error(filename);
    return NULL;
}

