/* Finding characters and strings in arrays of characters of 1, 2 or 4 bytes; str.find and its relatives.
 *
 * Bytes use the C library's memchr, memrchr and memmem, which are vectorised and linear. Wider kinds look for the first
 * character and compare; when the comparisons cost more than a multiple of what was scanned, the rest of the work goes to the
 * two-way algorithm (Crochemore and Perrin 1991), which is linear whatever the input. */
#include "objects/unicode_private.h"

#include <wchar.h>

#define CHAR Py_UCS2
#define NAME(x) ucs2_##x
#include "objects/str_search.h"
#undef CHAR
#undef NAME

#define CHAR Py_UCS4
#define NAME(x) ucs4_##x
#include "objects/str_search.h"
#undef CHAR
#undef NAME

Py_ssize_t chars_find_char(int kind, const void *data, Py_ssize_t n, Py_UCS4 ch)
{
    if (kind == 1) {
        if (ch > 0xff || n <= 0) return -1;
        const char *p = memchr(data, (int)ch, (size_t)n);
        return p ? p - (const char *)data : -1;
    }
    if (kind == 2) return ch > 0xffff ? -1 : ucs2_find_char(data, n, (Py_UCS2)ch);
    return ucs4_find_char(data, n, ch);
}

Py_ssize_t chars_rfind_char(int kind, const void *data, Py_ssize_t n, Py_UCS4 ch)
{
    if (kind == 1) {
        if (ch > 0xff || n <= 0) return -1;
        const char *p = memrchr(data, (int)ch, (size_t)n);
        return p ? p - (const char *)data : -1;
    }
    if (kind == 2) return ch > 0xffff ? -1 : ucs2_rfind_char(data, n, (Py_UCS2)ch);
    return ucs4_rfind_char(data, n, ch);
}

/* memmem prepares a table, which costs more than most searches: it gets what the first character does not settle soon. */
static Py_ssize_t bytes_find(const Py_UCS1 *h, Py_ssize_t n, const Py_UCS1 *p, Py_ssize_t m)
{
    const Py_UCS1 *at = h, *last = h + (n - m);
    for (int tries = 0; tries < 12; tries++) {
        at = memchr(at, p[0], (size_t)(last - at) + 1);
        if (!at) return -1;
        if (at[m - 1] == p[m - 1] && memcmp(at, p, (size_t)m) == 0) return at - h;
        if (++at > last) return -1;
    }
    const Py_UCS1 *found = memmem(at, (size_t)(last - at) + (size_t)m, p, (size_t)m);
    return found ? found - h : -1;
}

Py_ssize_t chars_find(int kind, const void *h, Py_ssize_t n, const void *p, Py_ssize_t m)
{
    if (n < m) return -1;
    if (kind == 1) {
        if (m == 1) return chars_find_char(1, h, n, *(const Py_UCS1 *)p);
        return bytes_find(h, n, p, m);
    }
    return kind == 2 ? ucs2_find(h, n, p, m) : ucs4_find(h, n, p, m);
}

static Py_ssize_t bytes_rfind(const Py_UCS1 *h, Py_ssize_t n, const Py_UCS1 *p, Py_ssize_t m)
{
    if (m == 1) return chars_rfind_char(1, h, n, p[0]);
    for (Py_ssize_t limit = n - m + 1;;) {
        const Py_UCS1 *found = memrchr(h, p[0], (size_t)limit);
        if (!found) return -1;
        if (memcmp(found, p, (size_t)m) == 0) return found - h;
        if ((limit = found - h) == 0) return -1;
    }
}

Py_ssize_t chars_rfind(int kind, const void *h, Py_ssize_t n, const void *p, Py_ssize_t m)
{
    if (n < m) return -1;
    return kind == 1 ? bytes_rfind(h, n, p, m) : kind == 2 ? ucs2_rfind(h, n, p, m) : ucs4_rfind(h, n, p, m);
}

static Py_ssize_t count_char(int kind, const void *h, Py_ssize_t n, Py_UCS4 ch)
{
    Py_ssize_t count = 0;
    WITH_KIND(kind, {
        const CHAR *p = h;
        for (Py_ssize_t i = 0; i < n; i++) count += p[i] == ch;
    });
    return count;
}

Py_ssize_t chars_count(int kind, const void *h, Py_ssize_t n, const void *p, Py_ssize_t m, Py_ssize_t max)
{
    if (max <= 0 || n < m) return 0;
    if (m == 1 && max >= n) return count_char(kind, h, n, PyUnicode_READ(kind, p, 0));
    Py_ssize_t count = 0;
    for (Py_ssize_t i = 0; i + m <= n;) {
        Py_ssize_t found = chars_find(kind, chars_at(kind, h, i), n - i, p, m);
        if (found < 0) break;
        if (++count == max) break;
        i += found + m;
    }
    return count;
}

int needle_init(Needle *needle, PyObject *s, int kind)
{
    Py_ssize_t n = needle->length = LENGTH(s);
    needle->owned = NULL;
    if (KIND(s) == kind) {
        needle->data = DATA(s);
        return 0;
    }
    void *data = needle->small;
    if (n > (Py_ssize_t)sizeof needle->small / kind) {
        if (!(data = needle->owned = PyMem_Malloc((size_t)n * (size_t)kind))) {
            PyErr_NoMemory();
            return -1;
        }
    }
    chars_convert(KIND(s), DATA(s), kind, data, n);
    needle->data = data;
    return 0;
}

/* ---- str ---------------------------------------------------------------------------------------------------------- */

Py_ssize_t str_search(PyObject *s, PyObject *sub, Py_ssize_t start, Py_ssize_t end, int direction)
{
    int kind = KIND(s);
    Py_ssize_t m = LENGTH(sub);
    clip_range(&start, &end, LENGTH(s));
    if (end - start < m || KIND(sub) > kind) return -1;
    if (m == 0) return direction > 0 ? start : end;
    const void *h = chars_at(kind, DATA(s), start);
    Py_ssize_t found;
    if (m == 1) {
        Py_UCS4 ch = PyUnicode_READ_CHAR(sub, 0);
        found = direction > 0 ? chars_find_char(kind, h, end - start, ch) : chars_rfind_char(kind, h, end - start, ch);
    }
    else {
        Needle needle;
        if (needle_init(&needle, sub, kind) < 0) return -2;
        found = direction > 0 ? chars_find(kind, h, end - start, needle.data, m) : chars_rfind(kind, h, end - start, needle.data, m);
        needle_clear(&needle);
    }
    return found < 0 ? -1 : found + start;
}

Py_ssize_t PyUnicode_Find(PyObject *s, PyObject *sub, Py_ssize_t start, Py_ssize_t end, int direction)
{
    if (str_require(s) < 0 || str_require(sub) < 0) return -2;
    return str_search(s, sub, start, end, direction);
}

Py_ssize_t PyUnicode_FindChar(PyObject *s, Py_UCS4 ch, Py_ssize_t start, Py_ssize_t end, int direction)
{
    clip_range(&start, &end, LENGTH(s));
    if (end - start < 1) return -1;
    int kind = KIND(s);
    const void *h = chars_at(kind, DATA(s), start);
    Py_ssize_t found = direction > 0 ? chars_find_char(kind, h, end - start, ch) : chars_rfind_char(kind, h, end - start, ch);
    return found < 0 ? -1 : found + start;
}

Py_ssize_t PyUnicode_Count(PyObject *s, PyObject *sub, Py_ssize_t start, Py_ssize_t end)
{
    if (str_require(s) < 0 || str_require(sub) < 0) return -1;
    int kind = KIND(s);
    clip_range(&start, &end, LENGTH(s));
    Py_ssize_t n = end - start, m = LENGTH(sub);
    if (n < m || KIND(sub) > kind) return 0;
    if (m == 0) return n == PY_SSIZE_T_MAX ? n : n + 1;
    Needle needle;
    if (needle_init(&needle, sub, kind) < 0) return -1;
    Py_ssize_t count = chars_count(kind, chars_at(kind, DATA(s), start), n, needle.data, m, PY_SSIZE_T_MAX);
    needle_clear(&needle);
    return count;
}

int PyUnicode_Contains(PyObject *s, PyObject *sub)
{
    if (UNLIKELY(!PyUnicode_Check(sub))) {
        PyErr_Format(PyExc_TypeError, "'in <string>' requires string as left operand, not %.100s", Py_TYPE(sub)->tp_name);
        return -1;
    }
    if (str_require(s) < 0) return -1;
    Py_ssize_t found = str_search(s, sub, 0, PY_SSIZE_T_MAX, 1);
    return found == -2 ? -1 : found >= 0;
}

Py_ssize_t PyUnicode_Tailmatch(PyObject *s, PyObject *sub, Py_ssize_t start, Py_ssize_t end, int direction)
{
    if (str_require(s) < 0 || str_require(sub) < 0) return -1;
    clip_range(&start, &end, LENGTH(s));
    Py_ssize_t m = LENGTH(sub);
    if (end - start < m) return 0;
    if (m == 0) return 1;
    int kind = KIND(s);
    if (KIND(sub) > kind) return 0;
    Py_ssize_t at = direction > 0 ? end - m : start;
    if (KIND(sub) == kind) return memcmp(chars_at(kind, DATA(s), at), DATA(sub), (size_t)(m * kind)) == 0;
    for (Py_ssize_t i = 0; i < m; i++) {
        if (PyUnicode_READ(kind, DATA(s), at + i) != PyUnicode_READ_CHAR(sub, i)) return 0;
    }
    return 1;
}
