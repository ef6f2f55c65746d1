/* str objects: making, converting, comparing, concatenating, resizing.
 *
 * Invariant (PEP 393): a str that anyone else can see is canonical, terminated, and never changes; latin-1 strings of one
 * character and the empty string are the static ones. Only functions here, in unicode_writer.c and unicode_utf8.c allocate.
 * Methods are in str_*.c, codecs in unicode_*.c, interning in unicode_intern.c. */
#include "objects/str_private.h"
#include "objects/unicode_private.h"

#include <wchar.h>

/* ---- kinds ------------------------------------------------------------------------------------------------------ */

static Py_UCS4 ucs2_max(const Py_UCS2 *p, Py_ssize_t n)
{
    Py_UCS2 all = 0;
    for (Py_ssize_t i = 0; i < n; i++) all |= p[i];
    return all < 0x80 ? 0x7f : all < 0x100 ? 0xff : 0xffff;
}

static Py_UCS4 ucs4_max(const Py_UCS4 *p, Py_ssize_t n)
{
    Py_UCS4 all = 0;
    for (Py_ssize_t i = 0; i < n; i++) all |= p[i];
    if (all < 0x10000) return all < 0x80 ? 0x7f : all < 0x100 ? 0xff : 0xffff;
    if (all > UNICODE_MAX) {
        Py_UCS4 max = 0;
        for (Py_ssize_t i = 0; i < n; i++) if (p[i] > max) max = p[i];
        if (max > UNICODE_MAX) return max;
    }
    return UNICODE_MAX;
}

Py_UCS4 chars_max(int kind, const void *data, Py_ssize_t n)
{
    if (kind == 1) return is_ascii_bytes(data, (size_t)n) ? 0x7f : 0xff;
    return kind == 2 ? ucs2_max(data, n) : ucs4_max(data, n);
}

#define CONVERT(FROM, TO) \
    do { \
        const FROM *restrict f = from; \
        TO *restrict t = to; \
        for (Py_ssize_t i = 0; i < n; i++) t[i] = (TO)f[i]; \
    } while (0)

void chars_convert(int from_kind, const void *from, int to_kind, void *to, Py_ssize_t n)
{
    switch (from_kind * 8 + to_kind) {
        case 1 * 8 + 2: CONVERT(Py_UCS1, Py_UCS2); break;
        case 1 * 8 + 4: CONVERT(Py_UCS1, Py_UCS4); break;
        case 2 * 8 + 1: CONVERT(Py_UCS2, Py_UCS1); break;
        case 2 * 8 + 4: CONVERT(Py_UCS2, Py_UCS4); break;
        case 4 * 8 + 1: CONVERT(Py_UCS4, Py_UCS1); break;
        case 4 * 8 + 2: CONVERT(Py_UCS4, Py_UCS2); break;
        default: memcpy(to, from, (size_t)(n * from_kind)); break;
    }
}

void chars_fill(int kind, void *data, Py_UCS4 ch, Py_ssize_t n)
{
    if (kind == 1) memset(data, (int)ch, (size_t)n);
    else if (kind == 2) for (Py_ssize_t i = 0; i < n; i++) ((Py_UCS2 *)data)[i] = (Py_UCS2)ch;
    else for (Py_ssize_t i = 0; i < n; i++) ((Py_UCS4 *)data)[i] = ch;
}

int str_require(PyObject *o)
{
    if (LIKELY(PyUnicode_Check(o))) return 0;
    PyErr_Format(PyExc_TypeError, "must be str, not %.100s", Py_TYPE(o)->tp_name);
    return -1;
}

/* ---- making ------------------------------------------------------------------------------------------------------ */

PyObject *PyUnicode_New(Py_ssize_t n, Py_UCS4 max)
{
    if (n == 0) return EMPTY_STR;
    if (UNLIKELY(max > UNICODE_MAX)) {
        PyErr_SetString(PyExc_SystemError, "invalid maximum character passed to PyUnicode_New");
        return NULL;
    }
    if (UNLIKELY(n < 0)) {
        PyErr_SetString(PyExc_SystemError, "Negative size passed to PyUnicode_New");
        return NULL;
    }
    return str_alloc(n, kind_of_max(max), max < 0x80);
}

PyObject *str_from_char(Py_UCS4 ch)
{
    if (ch < 256) return latin1_char(ch);
    PyObject *s = str_alloc(1, kind_of_max(ch), false);
    if (s) PyUnicode_WRITE(KIND(s), DATA(s), 0, ch);
    return s;
}

PyObject *str_from_ascii(const char *ascii, Py_ssize_t n)
{
    if (n <= 1) return n == 0 ? EMPTY_STR : latin1_char((unsigned char)ascii[0]);
    PyObject *s = str_alloc(n, 1, true);
    if (s) memcpy((PyASCIIObject *)s + 1, ascii, (size_t)n);
    return s;
}

PyObject *str_from_latin1(const Py_UCS1 *chars, Py_ssize_t n)
{
    if (n <= 1) return n == 0 ? EMPTY_STR : latin1_char(chars[0]);
    PyObject *s = str_alloc(n, 1, is_ascii_bytes(chars, (size_t)n));
    if (s) memcpy(DATA(s), chars, (size_t)n);
    return s;
}

PyObject *str_from_ucs2(const Py_UCS2 *chars, Py_ssize_t n)
{
    if (n == 0) return EMPTY_STR;
    if (n == 1) return str_from_char_inline(chars[0]);
    PyObject *s = str_alloc_max(n, ucs2_max(chars, n));
    if (s) chars_convert(2, chars, KIND(s), DATA(s), n);
    return s;
}

PyObject *str_from_ucs4(const Py_UCS4 *chars, Py_ssize_t n)
{
    if (n == 0) return EMPTY_STR;
    Py_UCS4 max = ucs4_max(chars, n);
    if (UNLIKELY(max > UNICODE_MAX)) return PyUnicode_New(n, max);       /* raises */
    if (n == 1) return str_from_char_inline(chars[0]);
    PyObject *s = str_alloc_max(n, max);
    if (s) chars_convert(4, chars, KIND(s), DATA(s), n);
    return s;
}

PyObject *str_from_chars(int kind, const void *data, Py_ssize_t n)
{
    return kind == 1 ? str_from_latin1(data, n) : kind == 2 ? str_from_ucs2(data, n) : str_from_ucs4(data, n);
}

PyObject *PyUnicode_FromKindAndData(int kind, const void *buffer, Py_ssize_t n)
{
    if (n < 0) {
        PyErr_SetString(PyExc_ValueError, "size must be positive");
        return NULL;
    }
    if (kind != 1 && kind != 2 && kind != 4) {
        PyErr_SetString(PyExc_SystemError, "invalid kind");
        return NULL;
    }
    if (n > PY_SSIZE_T_MAX / kind) return PyErr_NoMemory();
    return str_from_chars(kind, buffer, n);
}

PyObject *PyUnicode_FromStringAndSize(const char *u, Py_ssize_t n)
{
    if (UNLIKELY(n < 0)) {
        PyErr_SetString(PyExc_SystemError, "Negative size passed to PyUnicode_FromStringAndSize");
        return NULL;
    }
    if (u) return PyUnicode_DecodeUTF8Stateful(u, n, NULL, NULL);
    if (n > 0) {
        PyErr_SetString(PyExc_SystemError, "NULL string with positive size with NULL passed to PyUnicode_FromStringAndSize");
        return NULL;
    }
    return EMPTY_STR;
}

PyObject *PyUnicode_FromString(const char *u)
{
    size_t n = strlen(u);
    if (UNLIKELY(n > PY_SSIZE_T_MAX)) {
        PyErr_SetString(PyExc_OverflowError, "input too long");
        return NULL;
    }
    return PyUnicode_DecodeUTF8Stateful(u, (Py_ssize_t)n, NULL, NULL);
}

PyObject *PyUnicode_FromOrdinal(int ordinal)
{
    if (ordinal < 0 || ordinal > UNICODE_MAX) {
        PyErr_SetString(PyExc_ValueError, "chr() arg not in range(0x110000)");
        return NULL;
    }
    return str_from_char_inline((Py_UCS4)ordinal);
}

PyObject *str_copy_exact(PyObject *s)
{
    Py_ssize_t n = LENGTH(s);
    if (n == 0) return EMPTY_STR;
    if (n == 1) return str_from_char_inline(PyUnicode_READ_CHAR(s, 0));
    PyObject *copy = str_alloc(n, KIND(s), PyUnicode_IS_ASCII(s));
    if (copy) memcpy(DATA(copy), DATA(s), str_data_size(s));
    return copy;
}

PyObject *str_exact(PyObject *s) { return PyUnicode_CheckExact(s) ? Py_NewRef(s) : str_copy_exact(s); }

PyObject *PyUnicode_FromObject(PyObject *o)
{
    if (PyUnicode_Check(o)) return str_exact(o);
    PyErr_Format(PyExc_TypeError, "Can't convert '%.100s' object to str implicitly", Py_TYPE(o)->tp_name);
    return NULL;
}

PyObject *str_finish(PyObject *s, Py_ssize_t n)
{
    Py_UCS4 max = n == 0 ? 0 : chars_max(KIND(s), DATA(s), n);
    if (n > 1 && kind_of_max(max) == KIND(s) && (max < 0x80) == (bool)PyUnicode_IS_ASCII(s)) {
        if (n == LENGTH(s)) return s;
        if (PyUnicode_Resize(&s, n) < 0) Py_CLEAR(s);
        return s;
    }
    PyObject *result = str_from_chars(KIND(s), DATA(s), n);
    Py_DECREF(s);
    return result;
}

PyObject *str_substring(PyObject *s, Py_ssize_t start, Py_ssize_t end)
{
    Py_ssize_t n = LENGTH(s);
    if (end > n) end = n;
    if (start >= end) return EMPTY_STR;
    if (start == 0 && end == n) return str_exact(s);
    if (PyUnicode_IS_ASCII(s)) return str_from_ascii((const char *)DATA(s) + start, end - start);
    return str_from_chars(KIND(s), chars_at(KIND(s), DATA(s), start), end - start);
}

PyObject *PyUnicode_Substring(PyObject *s, Py_ssize_t start, Py_ssize_t end)
{
    if (start < 0 || end < 0) {
        PyErr_SetString(PyExc_IndexError, "string index out of range");
        return NULL;
    }
    return str_substring(s, start, end);
}

PyObject *str_getitem(PyObject *s, Py_ssize_t i) { return str_from_char_inline(PyUnicode_READ_CHAR(s, i)); }

/* ---- changing a string nobody else has --------------------------------------------------------------------------- */

void *text_object_realloc(PyObject *o, size_t old_size, size_t size)
{
    if (size < old_size && size <= 1024 && old_size - size >= 32) {
        PyObject *exact = PyObject_Malloc(size);
        if (!exact) return o;
        memcpy(exact, o, size);
        PyObject_Free(o);
        return exact;
    }
    return PyObject_Realloc(o, size);
}

/* s is modifiable; consumed on success only. */
static PyObject *str_realloc(PyObject *s, Py_ssize_t n)
{
    size_t head = PyUnicode_IS_ASCII(s) ? sizeof(PyASCIIObject) : sizeof(PyCompactUnicodeObject), kind = (size_t)KIND(s);
    if ((size_t)n > (PY_SSIZE_T_MAX - head) / kind - 1) return PyErr_NoMemory();
    if (!PyUnicode_IS_ASCII(s) && COMPACT_HEAD(s)->utf8) {
        PyMem_Free(COMPACT_HEAD(s)->utf8);
        COMPACT_HEAD(s)->utf8 = NULL;
        COMPACT_HEAD(s)->utf8_length = 0;
    }
    PyObject *o = text_object_realloc(s, head + ((size_t)LENGTH(s) + 1) * kind, head + ((size_t)n + 1) * kind);
    if (!o) return PyErr_NoMemory();
    ASCII_HEAD(o)->length = n;
    PyUnicode_WRITE(kind, (char *)o + head, n, 0);
    return o;
}

int PyUnicode_Resize(PyObject **p, Py_ssize_t n)
{
    PyObject *s = p ? *p : NULL;
    if (!s || !PyUnicode_Check(s) || n < 0) {
        PyErr_BadInternalCall();
        return -1;
    }
    if (n == LENGTH(s)) return 0;
    if (n == 0) {
        Py_SETREF(*p, EMPTY_STR);
        return 0;
    }
    if (str_is_modifiable(s)) {
        PyObject *o = str_realloc(s, n);
        if (!o) return -1;
        *p = o;
        return 0;
    }
    PyObject *copy = str_alloc(n, KIND(s), PyUnicode_IS_ASCII(s));
    if (!copy) return -1;
    str_copy(copy, 0, s, 0, n < LENGTH(s) ? n : LENGTH(s));
    Py_SETREF(*p, copy);
    return 0;
}

static int require_modifiable(PyObject *s)
{
    if (str_is_modifiable(s)) return 0;
    PyErr_SetString(PyExc_SystemError, "Cannot modify a string currently used");
    return -1;
}

static const char *kind_name(PyObject *s)
{
    return PyUnicode_IS_ASCII(s) ? "ascii" : KIND(s) == 1 ? "latin1" : KIND(s) == 2 ? "UCS2" : "UCS4";
}

Py_ssize_t PyUnicode_CopyCharacters(PyObject *to, Py_ssize_t to_start, PyObject *from, Py_ssize_t from_start, Py_ssize_t n)
{
    if (!PyUnicode_Check(from) || !PyUnicode_Check(to)) {
        PyErr_BadInternalCall();
        return -1;
    }
    if ((size_t)from_start > (size_t)LENGTH(from) || (size_t)to_start > (size_t)LENGTH(to)) {
        PyErr_SetString(PyExc_IndexError, "string index out of range");
        return -1;
    }
    if (n < 0) {
        PyErr_SetString(PyExc_SystemError, "how_many cannot be negative");
        return -1;
    }
    if (n > LENGTH(from) - from_start) n = LENGTH(from) - from_start;
    if (to_start + n > LENGTH(to)) {
        PyErr_Format(PyExc_SystemError, "Cannot write %zi characters at %zi in a string of %zi characters", n, to_start, LENGTH(to));
        return -1;
    }
    if (n == 0) return 0;
    if (require_modifiable(to) < 0) return -1;
    Py_UCS4 limit = PyUnicode_MAX_CHAR_VALUE(to);
    if (PyUnicode_MAX_CHAR_VALUE(from) > limit && chars_max(KIND(from), chars_at(KIND(from), DATA(from), from_start), n) > limit) {
        PyErr_Format(PyExc_SystemError, "Cannot copy %s characters into a string of %s characters", kind_name(from), kind_name(to));
        return -1;
    }
    str_copy(to, to_start, from, from_start, n);
    return n;
}

Py_ssize_t PyUnicode_Fill(PyObject *s, Py_ssize_t start, Py_ssize_t n, Py_UCS4 ch)
{
    if (!PyUnicode_Check(s)) {
        PyErr_BadInternalCall();
        return -1;
    }
    if (require_modifiable(s) < 0) return -1;
    if (start < 0) {
        PyErr_SetString(PyExc_IndexError, "string index out of range");
        return -1;
    }
    if (ch > PyUnicode_MAX_CHAR_VALUE(s)) {
        PyErr_SetString(PyExc_ValueError, "fill character is bigger than the string maximum character");
        return -1;
    }
    if (n > LENGTH(s) - start) n = LENGTH(s) - start;
    if (n <= 0) return 0;
    chars_fill(KIND(s), chars_at(KIND(s), DATA(s), start), ch, n);
    return n;
}

Py_UCS4 PyUnicode_ReadChar(PyObject *s, Py_ssize_t i)
{
    if (!PyUnicode_Check(s)) {
        PyErr_BadArgument();
        return (Py_UCS4)-1;
    }
    if (i < 0 || i >= LENGTH(s)) {
        PyErr_SetString(PyExc_IndexError, "string index out of range");
        return (Py_UCS4)-1;
    }
    return PyUnicode_READ_CHAR(s, i);
}

int PyUnicode_WriteChar(PyObject *s, Py_ssize_t i, Py_UCS4 ch)
{
    if (!PyUnicode_Check(s) || !PyUnicode_IS_COMPACT(s)) {
        PyErr_BadArgument();
        return -1;
    }
    if (i < 0 || i >= LENGTH(s)) {
        PyErr_SetString(PyExc_IndexError, "string index out of range");
        return -1;
    }
    if (require_modifiable(s) < 0) return -1;
    if (ch > PyUnicode_MAX_CHAR_VALUE(s)) {
        PyErr_SetString(PyExc_ValueError, "character out of range");
        return -1;
    }
    PyUnicode_WRITE(KIND(s), DATA(s), i, ch);
    return 0;
}

Py_ssize_t PyUnicode_GetLength(PyObject *s)
{
    if (PyUnicode_Check(s)) return LENGTH(s);
    PyErr_BadArgument();
    return -1;
}

/* Still in the stable ABI, long without meaning. */
PyAPI_FUNC(Py_ssize_t) PyUnicode_GetSize(PyObject *s);
Py_ssize_t PyUnicode_GetSize(PyObject *s)
{
    PyErr_SetString(PyExc_RuntimeError, "PyUnicode_GetSize has been removed.");
    (void)s;
    return -1;
}

/* ---- as arrays of characters -------------------------------------------------------------------------------------- */

Py_UCS4 *PyUnicode_AsUCS4(PyObject *s, Py_UCS4 *buffer, Py_ssize_t size, int copy_null)
{
    if (!buffer || size < 0) {
        PyErr_BadInternalCall();
        return NULL;
    }
    Py_ssize_t n = LENGTH(s);
    if (size < n + (copy_null != 0)) {
        PyErr_SetString(PyExc_SystemError, "string is longer than the buffer");
        if (copy_null && size > 0) buffer[0] = 0;
        return NULL;
    }
    chars_convert(KIND(s), DATA(s), 4, buffer, n);
    if (copy_null) buffer[n] = 0;
    return buffer;
}

Py_UCS4 *PyUnicode_AsUCS4Copy(PyObject *s)
{
    Py_ssize_t n = LENGTH(s) + 1;
    Py_UCS4 *buffer = PyMem_New(Py_UCS4, n);
    if (!buffer) {
        PyErr_NoMemory();
        return NULL;
    }
    return PyUnicode_AsUCS4(s, buffer, n, 1);
}

_Static_assert(sizeof(wchar_t) == 4, "wide characters are code points on Linux");

PyObject *PyUnicode_FromWideChar(const wchar_t *w, Py_ssize_t n)
{
    if ((!w && n != 0) || n < -1) {
        PyErr_BadInternalCall();
        return NULL;
    }
    if (n == -1) n = (Py_ssize_t)wcslen(w);
    if (n > PY_SSIZE_T_MAX / 4) return PyErr_NoMemory();
    return str_from_ucs4((const Py_UCS4 *)w, n);
}

Py_ssize_t PyUnicode_AsWideChar(PyObject *s, wchar_t *w, Py_ssize_t size)
{
    if (!s) {
        PyErr_BadInternalCall();
        return -1;
    }
    if (!PyUnicode_Check(s)) {
        PyErr_BadArgument();
        return -1;
    }
    Py_ssize_t n = LENGTH(s);
    if (!w) return n + 1;
    if (size > n) {
        chars_convert(KIND(s), DATA(s), 4, w, n);
        w[n] = 0;
        return n;
    }
    chars_convert(KIND(s), DATA(s), 4, w, size);
    return size;
}

wchar_t *PyUnicode_AsWideCharString(PyObject *s, Py_ssize_t *size)
{
    if (!s) {
        PyErr_BadInternalCall();
        return NULL;
    }
    if (!PyUnicode_Check(s)) {
        PyErr_BadArgument();
        return NULL;
    }
    Py_ssize_t n = LENGTH(s);
    wchar_t *w = PyMem_New(wchar_t, (size_t)n + 1);
    if (!w) {
        PyErr_NoMemory();
        return NULL;
    }
    chars_convert(KIND(s), DATA(s), 4, w, n);
    w[n] = 0;
    if (size) *size = n;
    else if (wcslen(w) != (size_t)n) {
        PyMem_Free(w);
        PyErr_SetString(PyExc_ValueError, "embedded null character");
        return NULL;
    }
    return w;
}

/* ---- comparing ---------------------------------------------------------------------------------------------------- */

#define COMPARE(A, B) \
    do { \
        const A *a = DATA(left); \
        const B *b = DATA(right); \
        for (Py_ssize_t i = 0; i < n; i++) { \
            Py_UCS4 x = a[i], y = b[i]; \
            if (x != y) return x < y ? -1 : 1; \
        } \
    } while (0)

static int str_compare(PyObject *left, PyObject *right)
{
    if (left == right) return 0;
    Py_ssize_t n1 = LENGTH(left), n2 = LENGTH(right), n = n1 < n2 ? n1 : n2;
    switch (KIND(left) * 8 + KIND(right)) {
        case 1 * 8 + 1: {
            int c = memcmp(DATA(left), DATA(right), (size_t)n);
            if (c) return c < 0 ? -1 : 1;
            break;
        }
        case 1 * 8 + 2: COMPARE(Py_UCS1, Py_UCS2); break;
        case 1 * 8 + 4: COMPARE(Py_UCS1, Py_UCS4); break;
        case 2 * 8 + 1: COMPARE(Py_UCS2, Py_UCS1); break;
        case 2 * 8 + 2: COMPARE(Py_UCS2, Py_UCS2); break;
        case 2 * 8 + 4: COMPARE(Py_UCS2, Py_UCS4); break;
        case 4 * 8 + 1: COMPARE(Py_UCS4, Py_UCS1); break;
        case 4 * 8 + 2: COMPARE(Py_UCS4, Py_UCS2); break;
        default: {
            int c = wmemcmp(DATA(left), DATA(right), (size_t)n);
            if (c) return c < 0 ? -1 : 1;
            break;
        }
    }
    return n1 == n2 ? 0 : n1 < n2 ? -1 : 1;
}

int PyUnicode_Compare(PyObject *left, PyObject *right)
{
    if (PyUnicode_Check(left) && PyUnicode_Check(right)) return str_compare(left, right);
    PyErr_Format(PyExc_TypeError, "Can't compare %.100s and %.100s", Py_TYPE(left)->tp_name, Py_TYPE(right)->tp_name);
    return -1;
}

PyObject *PyUnicode_RichCompare(PyObject *left, PyObject *right, int op)
{
    if (UNLIKELY(!PyUnicode_Check(left) || !PyUnicode_Check(right))) Py_RETURN_NOTIMPLEMENTED;
    if (op == Py_EQ || op == Py_NE) return PyBool_FromLong(str_equal(left, right) == (op == Py_EQ));
    int c = str_compare(left, right);
    Py_RETURN_RICHCOMPARE(c, 0, op);
}

int PyUnicode_CompareWithASCIIString(PyObject *left, const char *right)
{
    Py_ssize_t n1 = LENGTH(left);
    size_t n2 = strlen(right), n = (size_t)n1 < n2 ? (size_t)n1 : n2;
    int kind = KIND(left);
    if (kind == 1) {
        int c = memcmp(DATA(left), right, n);
        if (c) return c < 0 ? -1 : 1;
    }
    else {
        for (size_t i = 0; i < n; i++) {
            Py_UCS4 x = PyUnicode_READ(kind, DATA(left), (Py_ssize_t)i), y = (unsigned char)right[i];
            if (x != y) return x < y ? -1 : 1;
        }
    }
    return (size_t)n1 == n2 ? 0 : (size_t)n1 < n2 ? -1 : 1;
}

bool str_equal_ascii(PyObject *s, const char *ascii)
{
    size_t n = strlen(ascii);
    return PyUnicode_IS_ASCII(s) && (size_t)LENGTH(s) == n && memcmp(DATA(s), ascii, n) == 0;
}

int PyUnicode_EqualToUTF8(PyObject *s, const char *u) { return PyUnicode_EqualToUTF8AndSize(s, u, (Py_ssize_t)strlen(u)); }

/* ---- concatenating ------------------------------------------------------------------------------------------------ */

static PyObject *too_large_to_concat(void)
{
    PyErr_SetString(PyExc_OverflowError, "strings are too large to concat");
    return NULL;
}

/* both must be str */
static PyObject *str_concat(PyObject *left, PyObject *right)
{
    Py_ssize_t n1 = LENGTH(left), n2 = LENGTH(right);
    if (n1 == 0) return str_exact(right);
    if (n2 == 0) return str_exact(left);
    if (UNLIKELY(n1 > PY_SSIZE_T_MAX - n2)) return too_large_to_concat();
    if (LIKELY(PyUnicode_IS_ASCII(left) && PyUnicode_IS_ASCII(right))) {
        PyObject *s = str_alloc(n1 + n2, 1, true);
        if (UNLIKELY(!s)) return NULL;
        char *data = (char *)((PyASCIIObject *)s + 1);
        memcpy(data, DATA(left), (size_t)n1);
        memcpy(data + n1, DATA(right), (size_t)n2);
        return s;
    }
    int kind = KIND(left) > KIND(right) ? KIND(left) : KIND(right);
    PyObject *s = str_alloc(n1 + n2, kind, false);
    if (!s) return NULL;
    str_copy(s, 0, left, 0, n1);
    str_copy(s, n1, right, 0, n2);
    return s;
}

PyObject *PyUnicode_Concat(PyObject *left, PyObject *right)
{
    if (str_require(left) < 0) return NULL;
    if (UNLIKELY(!PyUnicode_Check(right))) {
        PyErr_Format(PyExc_TypeError, "can only concatenate str (not \"%.200s\") to str", Py_TYPE(right)->tp_name);
        return NULL;
    }
    return str_concat(left, right);
}

/* *left + right into *left, in place when nobody else holds *left (which the caller owns). NULL in *left on failure. */
static void str_append(PyObject **p, PyObject *right)
{
    PyObject *left = *p;
    Py_ssize_t n1 = LENGTH(left), n2 = LENGTH(right);
    if (n2 == 0 && PyUnicode_CheckExact(left)) return;
    if (n1 != 0 && str_is_modifiable(left) && KIND(right) <= KIND(left) &&
        !(PyUnicode_IS_ASCII(left) && !PyUnicode_IS_ASCII(right))) {
        if (n1 > PY_SSIZE_T_MAX - n2) too_large_to_concat();
        else {
            PyObject *grown = str_realloc(left, n1 + n2);
            if (grown) {
                str_copy(grown, n1, right, 0, n2);
                *p = grown;
                return;
            }
        }
        *p = NULL;
        Py_DECREF(left);
        return;
    }
    *p = str_concat(left, right);
    Py_DECREF(left);
}

void PyUnicode_Append(PyObject **p, PyObject *right)
{
    if (!p) {
        if (!PyErr_Occurred()) PyErr_BadInternalCall();
        return;
    }
    if (!*p || !right || !PyUnicode_Check(*p) || !PyUnicode_Check(right)) {
        if (!PyErr_Occurred()) PyErr_BadInternalCall();
        Py_CLEAR(*p);
        return;
    }
    str_append(p, right);
}

void PyUnicode_AppendAndDel(PyObject **p, PyObject *right)
{
    PyUnicode_Append(p, right);
    Py_XDECREF(right);
}

/* ---- hash --------------------------------------------------------------------------------------------------------- */

Py_hash_t str_hash_slow(PyObject *s)
{
    Py_hash_t h = _Py_HashBytes(DATA(s), (Py_ssize_t)str_data_size(s));
    ASCII_HEAD(s)->hash = h;
    return h;
}

/* ---- private names that compiled modules use ---------------------------------------------------------------------- */

PyAPI_FUNC(int) _PyUnicode_EqualToASCIIString(PyObject *left, const char *right);
PyAPI_FUNC(int) _PyUnicode_Equal(PyObject *left, PyObject *right);
PyAPI_FUNC(PyObject *) _PyUnicode_Copy(PyObject *s);

int _PyUnicode_EqualToASCIIString(PyObject *left, const char *right) { return str_equal_ascii(left, right); }
int _PyUnicode_Equal(PyObject *left, PyObject *right) { return str_equal(left, right); }

PyObject *_PyUnicode_Copy(PyObject *s)
{
    if (!PyUnicode_Check(s)) {
        PyErr_BadInternalCall();
        return NULL;
    }
    return str_copy_exact(s);
}

PyObject *str_digits_to_ascii(PyObject *s)
{
    Py_ssize_t n = LENGTH(s);
    if (PyUnicode_IS_ASCII(s)) return str_exact(s);
    PyObject *result = str_alloc(n, 1, true);
    if (!result) return NULL;
    Py_UCS1 *out = DATA(result);
    for (Py_ssize_t i = 0; i < n; i++) {
        Py_UCS4 c = PyUnicode_READ_CHAR(s, i);
        int digit = c < 128 ? -1 : _PyUnicode_ToDecimalDigit(c);
        out[i] = (Py_UCS1)(c < 128 ? c : digit >= 0 ? (Py_UCS4)('0' + digit) : _PyUnicode_IsWhitespace(c) ? ' ' : '?');
        if (out[i] != '?' || c < 128) continue;
        Py_SETREF(result, PyUnicode_Substring(result, 0, i + 1));      /* no number: what follows does not matter */
        return result;
    }
    return n == 1 ? str_finish(result, 1) : result;
}

PyAPI_FUNC(PyObject *) _PyUnicode_TransformDecimalAndSpaceToASCII(PyObject *s);
PyAPI_FUNC(int) _PyUnicode_CheckConsistency(PyObject *s, int check_content);

PyObject *_PyUnicode_TransformDecimalAndSpaceToASCII(PyObject *s)
{
    if (PyUnicode_Check(s)) return str_digits_to_ascii(s);
    PyErr_BadInternalCall();
    return NULL;
}

int _PyUnicode_CheckConsistency(PyObject *s, int check_content)
{
    int kind = KIND(s);
    bool fine = PyUnicode_Check(s) && (kind == 1 || kind == 2 || kind == 4) && !(PyUnicode_IS_ASCII(s) && kind != 1) && LENGTH(s) >= 0;
    if (fine && check_content) {
        Py_UCS4 max = chars_max(kind, DATA(s), LENGTH(s));
        fine = PyUnicode_READ(kind, DATA(s), LENGTH(s)) == 0 && (LENGTH(s) == 0 || max == PyUnicode_MAX_CHAR_VALUE(s));
    }
    if (!fine) _Py_FatalErrorFunc(__func__, "a str is not canonical");
    return 1;
}
