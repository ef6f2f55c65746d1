/* _PyUnicodeWriter: builds a str from pieces of unknown size and width.
 *
 * The first string written to an empty, not overallocating writer is kept as it is (readonly), so that formatting one str
 * costs no copy. Fields are public: inline macros of Python.h test maxchar, size and pos. */
#include "objects/unicode_private.h"

static inline void writer_update(_PyUnicodeWriter *w)
{
    w->maxchar = PyUnicode_MAX_CHAR_VALUE(w->buffer);
    w->data = DATA(w->buffer);
    if (!w->readonly) {
        w->kind = KIND(w->buffer);
        w->size = LENGTH(w->buffer);
    }
    else {                                                 /* so that the next write prepares a buffer of its own */
        w->kind = 0;
        w->size = 0;
    }
}

void _PyUnicodeWriter_Init(_PyUnicodeWriter *w)
{
    memset(w, 0, sizeof *w);
    w->min_char = 127;
}

int _PyUnicodeWriter_PrepareInternal(_PyUnicodeWriter *w, Py_ssize_t length, Py_UCS4 max)
{
    if (UNLIKELY(length > PY_SSIZE_T_MAX - w->pos)) {
        PyErr_NoMemory();
        return -1;
    }
    Py_ssize_t need = w->pos + length;
    if (max < w->min_char) max = w->min_char;
    if (!w->buffer) {
        if (w->overallocate && need <= PY_SSIZE_T_MAX - need / 4) need += need / 4;
        if (need < w->min_length) need = w->min_length;
        if (!(w->buffer = PyUnicode_New(need, max))) return -1;
    }
    else if (need > w->size) {
        if (w->overallocate && need <= PY_SSIZE_T_MAX - need / 4) need += need / 4;
        if (need < w->min_length) need = w->min_length;
        if (max > w->maxchar || w->readonly) {
            PyObject *wider = PyUnicode_New(need, max > w->maxchar ? max : w->maxchar);
            if (!wider) return -1;
            str_copy(wider, 0, w->buffer, 0, w->pos);
            w->readonly = 0;
            Py_SETREF(w->buffer, wider);
        }
        else if (PyUnicode_Resize(&w->buffer, need) < 0) return -1;
    }
    else if (max > w->maxchar) {
        PyObject *wider = PyUnicode_New(w->size, max);
        if (!wider) return -1;
        str_copy(wider, 0, w->buffer, 0, w->pos);
        Py_SETREF(w->buffer, wider);
    }
    writer_update(w);
    return 0;
}

int _PyUnicodeWriter_PrepareKindInternal(_PyUnicodeWriter *w, int kind)
{
    return _PyUnicodeWriter_PrepareInternal(w, 0, kind == 1 ? 0xff : kind == 2 ? 0xffff : UNICODE_MAX);
}

int _PyUnicodeWriter_WriteChar(_PyUnicodeWriter *w, Py_UCS4 ch)
{
    if (_PyUnicodeWriter_Prepare(w, 1, ch) < 0) return -1;
    PyUnicode_WRITE(w->kind, w->data, w->pos, ch);
    w->pos++;
    return 0;
}

int _PyUnicodeWriter_WriteStr(_PyUnicodeWriter *w, PyObject *s)
{
    Py_ssize_t n = LENGTH(s);
    if (n == 0) return 0;
    Py_UCS4 max = PyUnicode_MAX_CHAR_VALUE(s);
    if (max > w->maxchar || n > w->size - w->pos) {
        if (!w->buffer && !w->overallocate && PyUnicode_CheckExact(s)) {
            w->readonly = 1;
            w->buffer = Py_NewRef(s);
            writer_update(w);
            w->pos += n;
            return 0;
        }
        if (_PyUnicodeWriter_PrepareInternal(w, n, max) < 0) return -1;
    }
    str_copy(w->buffer, w->pos, s, 0, n);
    w->pos += n;
    return 0;
}

int _PyUnicodeWriter_WriteSubstring(_PyUnicodeWriter *w, PyObject *s, Py_ssize_t start, Py_ssize_t end)
{
    if (end <= start) return 0;
    if (start == 0 && end == LENGTH(s)) return _PyUnicodeWriter_WriteStr(w, s);
    Py_ssize_t n = end - start;
    Py_UCS4 max = PyUnicode_MAX_CHAR_VALUE(s);
    if (max > w->maxchar) max = chars_max(KIND(s), chars_at(KIND(s), DATA(s), start), n);
    if (_PyUnicodeWriter_Prepare(w, n, max) < 0) return -1;
    str_copy(w->buffer, w->pos, s, start, n);
    w->pos += n;
    return 0;
}

static void write_bytes(_PyUnicodeWriter *w, const char *p, Py_ssize_t n)
{
    chars_convert(1, p, w->kind, chars_at(w->kind, w->data, w->pos), n);
    w->pos += n;
}

int _PyUnicodeWriter_WriteASCIIString(_PyUnicodeWriter *w, const char *ascii, Py_ssize_t n)
{
    if (n == -1) n = (Py_ssize_t)strlen(ascii);
    if (n == 0) return 0;
    if (!w->buffer && !w->overallocate) {
        PyObject *s = str_from_ascii(ascii, n);
        if (!s) return -1;
        w->readonly = 1;
        w->buffer = s;
        writer_update(w);
        w->pos += n;
        return 0;
    }
    if (_PyUnicodeWriter_Prepare(w, n, 127) < 0) return -1;
    write_bytes(w, ascii, n);
    return 0;
}

int _PyUnicodeWriter_WriteLatin1String(_PyUnicodeWriter *w, const char *p, Py_ssize_t n)
{
    if (n == 0) return 0;
    if (_PyUnicodeWriter_Prepare(w, n, chars_max(1, p, n)) < 0) return -1;
    write_bytes(w, p, n);
    return 0;
}

/* The writer may have promised wider characters than came: only then the result is scanned. */
PyObject *_PyUnicodeWriter_Finish(_PyUnicodeWriter *w)
{
    PyObject *s = w->buffer;
    w->buffer = NULL;
    if (w->pos == 0) {
        Py_XDECREF(s);
        return EMPTY_STR;
    }
    if (w->readonly) return s;
    if (w->pos == 1 || !PyUnicode_IS_ASCII(s)) return str_finish(s, w->pos);
    if (LENGTH(s) != w->pos && PyUnicode_Resize(&s, w->pos) < 0) {
        Py_DECREF(s);
        return NULL;
    }
    return s;
}

void _PyUnicodeWriter_Dealloc(_PyUnicodeWriter *w) { Py_CLEAR(w->buffer); }
