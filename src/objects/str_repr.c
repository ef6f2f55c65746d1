/* repr() of str. The quotes are single unless only that would need escapes; what is not printable is escaped. */
#include "objects/unicode_data.h"
#include "objects/unicode_private.h"

static inline bool shows_as_is(Py_UCS4 c) { return c < 127 ? c >= ' ' : c != 127 && (char_flags(c) & CHAR_PRINTABLE); }

static Py_ssize_t escaped_size(Py_UCS4 c)
{
    if (c == '\n' || c == '\r' || c == '\t') return 2;
    return c < 256 ? 4 : c < 0x10000 ? 6 : 10;
}

static Py_ssize_t write_escape(int kind, void *data, Py_ssize_t at, Py_UCS4 c)
{
    static const char hex[] = "0123456789abcdef";
    PyUnicode_WRITE(kind, data, at, '\\');
    at++;
    if (c == '\n' || c == '\r' || c == '\t') {
        PyUnicode_WRITE(kind, data, at, c == '\n' ? 'n' : c == '\r' ? 'r' : 't');
        return at + 1;
    }
    int digits = c < 256 ? 2 : c < 0x10000 ? 4 : 8;
    PyUnicode_WRITE(kind, data, at, digits == 2 ? 'x' : digits == 4 ? 'u' : 'U');
    at++;
    for (int shift = 4 * digits - 4; shift >= 0; shift -= 4, at++) PyUnicode_WRITE(kind, data, at, hex[c >> shift & 15]);
    return at;
}

/* The common case: ASCII without anything to escape. NULL without exception when it is not so. */
static PyObject *repr_plain(PyObject *s)
{
    const Py_UCS1 *p = DATA(s);
    Py_ssize_t n = LENGTH(s);
    bool odd = false;
    for (Py_ssize_t i = 0; i < n; i++) odd |= (p[i] < ' ') | (p[i] == 127) | (p[i] == '\'') | (p[i] == '\\');
    if (odd || n > PY_SSIZE_T_MAX - 2) return NULL;
    PyObject *result = str_alloc(n + 2, 1, true);
    if (!result) return NULL;
    char *out = DATA(result);
    out[0] = out[n + 1] = '\'';
    memcpy(out + 1, p, (size_t)n);
    return result;
}

PyObject *str_repr(PyObject *s)
{
    if (PyUnicode_IS_ASCII(s)) {
        PyObject *plain = repr_plain(s);
        if (plain || PyErr_Occurred()) return plain;
    }
    Py_ssize_t n = LENGTH(s), size = 0, single = 0, dbl = 0;
    int kind = KIND(s);
    const void *data = DATA(s);
    Py_UCS4 max = 127;
    for (Py_ssize_t i = 0; i < n; i++) {
        Py_UCS4 c = PyUnicode_READ(kind, data, i);
        Py_ssize_t add = 1;
        if (c == '\'') single++;
        else if (c == '"') dbl++;
        else if (c == '\\') add = 2;
        else if (!shows_as_is(c)) add = escaped_size(c);
        else if (c > max) max = c;
        if (add > PY_SSIZE_T_MAX - size) goto too_long;
        size += add;
    }
    Py_UCS4 quote = single && !dbl ? '"' : '\'';
    Py_ssize_t escaped_quotes = quote == '\'' ? single : 0;
    if (size > PY_SSIZE_T_MAX - escaped_quotes - 2) goto too_long;
    PyObject *result = str_alloc_max(size + escaped_quotes + 2, max);
    if (!result) return NULL;
    int out_kind = KIND(result);
    void *out = DATA(result);
    PyUnicode_WRITE(out_kind, out, 0, quote);
    if (size == n && escaped_quotes == 0) str_copy(result, 1, s, 0, n);
    else {
        Py_ssize_t at = 1;
        for (Py_ssize_t i = 0; i < n; i++) {
            Py_UCS4 c = PyUnicode_READ(kind, data, i);
            if (c == quote || c == '\\') {
                PyUnicode_WRITE(out_kind, out, at, '\\');
                at++;
            }
            else if (!shows_as_is(c)) {
                at = write_escape(out_kind, out, at, c);
                continue;
            }
            PyUnicode_WRITE(out_kind, out, at, c);
            at++;
        }
    }
    PyUnicode_WRITE(out_kind, out, LENGTH(result) - 1, quote);
    return result;
too_long:
    PyErr_SetString(PyExc_OverflowError, "string is too long to generate repr");
    return NULL;
}
