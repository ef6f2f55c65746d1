/* str.join and str.replace: results that are measured first and then filled. */
#include "objects/unicode_private.h"

/* ---- join ---------------------------------------------------------------------------------------------------------- */

typedef struct JoinSize { Py_ssize_t length; int kind; bool ascii; } JoinSize;

static int join_measure(PyObject *separator, PyObject *const *items, Py_ssize_t n, JoinSize *size)
{
    Py_ssize_t length = 0, gap = LENGTH(separator);
    int kind = gap ? KIND(separator) : 1;
    bool ascii = !gap || PyUnicode_IS_ASCII(separator);
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *item = items[i];
        if (UNLIKELY(!PyUnicode_Check(item))) {
            PyErr_Format(PyExc_TypeError, "sequence item %zd: expected str instance, %.80s found", i, Py_TYPE(item)->tp_name);
            return -1;
        }
        Py_ssize_t add = LENGTH(item) + (i ? gap : 0);
        if (UNLIKELY(add < 0 || add > PY_SSIZE_T_MAX - length)) {
            PyErr_SetString(PyExc_OverflowError, "join() result is too long for a Python string");
            return -1;
        }
        length += add;
        if (KIND(item) > kind) kind = KIND(item);
        ascii &= PyUnicode_IS_ASCII(item);
    }
    *size = (JoinSize){ length, kind, ascii };
    return 0;
}

PyObject *str_join_array(PyObject *separator, PyObject *const *items, Py_ssize_t n)
{
    JoinSize size;
    if (n == 0) return EMPTY_STR;
    if (n == 1 && PyUnicode_CheckExact(items[0])) return Py_NewRef(items[0]);
    if (!separator) separator = PyUnicode_FromStringAndSize(" ", 1);
    else if (!PyUnicode_Check(separator)) {
        PyErr_Format(PyExc_TypeError, "separator: expected str instance, %.80s found", Py_TYPE(separator)->tp_name);
        return NULL;
    }
    if (join_measure(separator, items, n, &size) < 0) return NULL;
    if (size.length == 0) return EMPTY_STR;
    if (size.length == 1) {                                /* some item, or the separator of two empty ones */
        for (Py_ssize_t i = 0; i < n; i++) if (LENGTH(items[i]) == 1) return str_getitem(items[i], 0);
        return str_getitem(separator, 0);
    }
    PyObject *result = str_alloc(size.length, size.kind, size.ascii);
    if (!result) return NULL;
    int kind = size.kind;
    char *out = DATA(result);
    const void *gap = DATA(separator);
    size_t gap_size = (size_t)LENGTH(separator) * (size_t)kind;
    bool same_gap = KIND(separator) == kind;
    for (Py_ssize_t i = 0; i < n; i++) {
        if (i && gap_size) {
            if (LIKELY(same_gap)) {
                if (gap_size == 1) *out = *(const char *)gap;
                else memcpy(out, gap, gap_size);
            }
            else chars_convert(KIND(separator), gap, kind, out, LENGTH(separator));
            out += gap_size;
        }
        PyObject *item = items[i];
        size_t bytes = (size_t)LENGTH(item) * (size_t)kind;
        if (LIKELY(KIND(item) == kind)) memcpy(out, DATA(item), bytes);
        else chars_convert(KIND(item), DATA(item), kind, out, LENGTH(item));
        out += bytes;
    }
    assert(out == (char *)DATA(result) + str_data_size(result));
    return result;
}

PyAPI_FUNC(PyObject *) _PyUnicode_JoinArray(PyObject *separator, PyObject *const *items, Py_ssize_t n);
PyObject *_PyUnicode_JoinArray(PyObject *separator, PyObject *const *items, Py_ssize_t n) { return str_join_array(separator, items, n); }

PyObject *PyUnicode_Join(PyObject *separator, PyObject *iterable)
{
    PyObject *items = PySequence_Fast(iterable, "can only join an iterable");
    if (!items) return NULL;
    PyObject *result = str_join_array(separator, PySequence_Fast_ITEMS(items), PySequence_Fast_GET_SIZE(items));
    Py_DECREF(items);
    return result;
}

/* ---- replace ------------------------------------------------------------------------------------------------------- */

/* Replaces character by character of the same width. */
static PyObject *replace_char(PyObject *s, Py_UCS4 from, Py_UCS4 to, Py_ssize_t max)
{
    int kind = KIND(s);
    Py_ssize_t n = LENGTH(s), i = chars_find_char(kind, DATA(s), n, from);
    if (i < 0) return str_exact(s);
    PyObject *result = str_alloc(n, kind, PyUnicode_IS_ASCII(s));
    if (!result) return NULL;
    void *data = DATA(result);
    memcpy(data, DATA(s), str_data_size(s));
    if (max >= n) {
        WITH_KIND(kind, {
            CHAR *p = data;
            for (; i < n; i++) p[i] = p[i] == (CHAR)from ? (CHAR)to : p[i];
        });
    }
    else {
        while (max-- > 0) {
            PyUnicode_WRITE(kind, data, i, to);
            Py_ssize_t next = chars_find_char(kind, chars_at(kind, data, i + 1), n - i - 1, from);
            if (next < 0) break;
            i += next + 1;
        }
    }
    return PyUnicode_IS_ASCII(result) && n > 1 ? result : str_finish(result, n);
}

/* Put between all characters: what replacing the empty string means. */
static PyObject *interleave(PyObject *s, PyObject *with, Py_ssize_t max)
{
    Py_ssize_t n = LENGTH(s), gap = LENGTH(with), count = max < n + 1 ? max : n + 1;
    if (gap > (PY_SSIZE_T_MAX - n) / count) {
        PyErr_SetString(PyExc_OverflowError, "replace string is too long");
        return NULL;
    }
    Py_UCS4 m1 = PyUnicode_MAX_CHAR_VALUE(s), m2 = PyUnicode_MAX_CHAR_VALUE(with);
    PyObject *result = PyUnicode_New(n + gap * count, m1 > m2 ? m1 : m2);
    if (!result || result == EMPTY_STR) return result;
    Py_ssize_t out = 0, i = 0;
    for (; i < count; i++) {
        str_copy(result, out, with, 0, gap);
        out += gap;
        if (i < n) str_copy(result, out++, s, i, 1);
    }
    if (i < n) str_copy(result, out, s, i, n - i);
    return LENGTH(result) > 1 ? result : str_finish(result, LENGTH(result));
}

static PyObject *replace_general(PyObject *s, PyObject *from, PyObject *to, Py_ssize_t max)
{
    int kind = KIND(s);
    Py_ssize_t n = LENGTH(s), m = LENGTH(from), length = LENGTH(to);
    PyObject *result = NULL;
    Needle needle;
    if (needle_init(&needle, from, kind) < 0) return NULL;
    Py_ssize_t count = chars_count(kind, DATA(s), n, needle.data, m, max);
    if (count == 0) {
        needle_clear(&needle);
        return str_exact(s);
    }
    if (length > m && length - m > (PY_SSIZE_T_MAX - n) / count) {
        PyErr_SetString(PyExc_OverflowError, "replace string is too long");
        goto done;
    }
    Py_UCS4 m1 = PyUnicode_MAX_CHAR_VALUE(s), m2 = PyUnicode_MAX_CHAR_VALUE(to), m3 = PyUnicode_MAX_CHAR_VALUE(from);
    result = PyUnicode_New(n + count * (length - m), m1 > m2 ? m1 : m2);
    if (!result || result == EMPTY_STR) goto done;
    Py_ssize_t in = 0, out = 0;
    while (count-- > 0) {
        Py_ssize_t found = chars_find(kind, chars_at(kind, DATA(s), in), n - in, needle.data, m);
        if (found < 0) break;
        str_copy(result, out, s, in, found);
        str_copy(result, out + found, to, 0, length);
        in += found + m;
        out += found + length;
    }
    str_copy(result, out, s, in, n - in);
    /* only taking out characters as wide as the widest can leave a narrower string */
    if ((m3 == m1 && m2 < m1 && m1 > 0x7f) || LENGTH(result) == 1) result = str_finish(result, LENGTH(result));
done:
    needle_clear(&needle);
    return result;
}

PyObject *PyUnicode_Replace(PyObject *s, PyObject *from, PyObject *to, Py_ssize_t max)
{
    if (str_require(s) < 0 || str_require(from) < 0 || str_require(to) < 0) return NULL;
    Py_ssize_t n = LENGTH(s), m = LENGTH(from);
    if (max < 0) max = PY_SSIZE_T_MAX;
    if (max == 0 || n < m || KIND(from) > KIND(s)) return str_exact(s);
    if (from == to && PyUnicode_CheckExact(s)) return Py_NewRef(s);
    if (m == 0) {
        if (LENGTH(to) == 0) return str_exact(s);
        return interleave(s, to, max);
    }
    if (m == 1 && LENGTH(to) == 1 && PyUnicode_MAX_CHAR_VALUE(to) <= PyUnicode_MAX_CHAR_VALUE(s))
        return replace_char(s, PyUnicode_READ_CHAR(from, 0), PyUnicode_READ_CHAR(to, 0), max);
    return replace_general(s, from, to, max);
}
