/* The methods that bytes and bytearray have in common, included by bytes.c and bytearray.c after they defined
 *
 *     RAW_DATA(o)       char * of an instance
 *     RAW_NEW(p, n)     a new object of the type itself; p NULL: uninitialised (n > 0 then fresh)
 *     RAW_SAME(o)       o when it is exactly of an immutable type, otherwise a copy
 *     RAW_IS_BYTEARRAY  0 or 1
 *
 * Arguments are converted before the bytes of self are looked at: conversion can run code that resizes a bytearray. */

#define RAW_SIZE(o) Py_SIZE(o)

static PyObject *raw_piece(int Py_UNUSED(kind), const void *p, Py_ssize_t n) { return RAW_NEW(p, n); }

static Text raw_text(PyObject *self)
{
    PyObject *whole = !RAW_IS_BYTEARRAY && PyBytes_CheckExact(self) ? self : NULL;
    return (Text){ RAW_DATA(self), RAW_SIZE(self), 1, text_traits_bytes, whole, raw_piece };
}

static PyObject *raw_slice(PyObject *self, Py_ssize_t start, Py_ssize_t end)
{
    if (start == 0 && end == RAW_SIZE(self)) return RAW_SAME(self);
    return RAW_NEW(RAW_DATA(self) + start, end - start);
}

/* ---- searching ----------------------------------------------------------------------------------------------------- */

/* -1: not there, -2: exception. */
static Py_ssize_t raw_find_args(const char *name, PyObject *self, PyObject *const *args, Py_ssize_t nargs, int direction)
{
    Py_ssize_t start, end, found = -1;
    View v;
    char byte;
    if (text_find_args(name, args, nargs, &start, &end) < 0 || view_get_or_byte(&v, args[0], &byte) < 0) return -2;
    clip_range(&start, &end, RAW_SIZE(self));
    if (end - start >= v.length) {
        const char *p = RAW_DATA(self) + start;
        if (v.length == 0) found = direction > 0 ? 0 : end - start;
        else found = direction > 0 ? chars_find(1, p, end - start, v.data, v.length) : chars_rfind(1, p, end - start, v.data, v.length);
    }
    view_release(&v);
    return found < 0 ? -1 : found + start;
}

BUILTIN_FAST(raw, find, "($self, sub[, start[, end]], /)", "Lowest index in data[start:end] where sub, bytes or an integer, begins, or -1.")
{
    Py_ssize_t at = raw_find_args("find", self, args, nargs, 1);
    return at == -2 ? NULL : PyLong_FromSsize_t(at);
}

BUILTIN_FAST(raw, rfind, "($self, sub[, start[, end]], /)", "Highest index in data[start:end] where sub, bytes or an integer, begins, or -1.")
{
    Py_ssize_t at = raw_find_args("rfind", self, args, nargs, -1);
    return at == -2 ? NULL : PyLong_FromSsize_t(at);
}

static PyObject *raw_index_of(const char *name, PyObject *self, PyObject *const *args, Py_ssize_t nargs, int direction)
{
    Py_ssize_t at = raw_find_args(name, self, args, nargs, direction);
    if (at >= 0) return PyLong_FromSsize_t(at);
    if (at == -1) PyErr_SetString(PyExc_ValueError, "subsection not found");
    return NULL;
}

BUILTIN_FAST(raw, index, "($self, sub[, start[, end]], /)", "Like find, but raises ValueError when sub is not there.")
{
    return raw_index_of("index", self, args, nargs, 1);
}

BUILTIN_FAST(raw, rindex, "($self, sub[, start[, end]], /)", "Like rfind, but raises ValueError when sub is not there.")
{
    return raw_index_of("rindex", self, args, nargs, -1);
}

BUILTIN_FAST(raw, count, "($self, sub[, start[, end]], /)", "How often sub occurs in data[start:end] without overlap.")
{
    Py_ssize_t start, end, count;
    View v;
    char byte;
    if (text_find_args("count", args, nargs, &start, &end) < 0 || view_get_or_byte(&v, args[0], &byte) < 0) return NULL;
    clip_range(&start, &end, RAW_SIZE(self));
    if (end - start < v.length) count = 0;
    else if (v.length == 0) count = end - start + 1;
    else count = chars_count(1, RAW_DATA(self) + start, end - start, v.data, v.length, PY_SSIZE_T_MAX);
    view_release(&v);
    return PyLong_FromSsize_t(count);
}

static int raw_contains(PyObject *self, PyObject *o)
{
    if (PyIndex_Check(o)) {
        Py_ssize_t value = PyNumber_AsSsize_t(o, NULL);
        if (value == -1 && PyErr_Occurred()) PyErr_Clear();
        else if (value < 0 || value > 255) {
            PyErr_SetString(PyExc_ValueError, "byte must be in range(0, 256)");
            return -1;
        }
        else return RAW_SIZE(self) && memchr(RAW_DATA(self), (int)value, (size_t)RAW_SIZE(self)) != NULL;
    }
    View v;
    if (view_get(&v, o) < 0) return -1;
    int found = v.length == 0 || chars_find(1, RAW_DATA(self), RAW_SIZE(self), v.data, v.length) >= 0;
    view_release(&v);
    return found;
}

/* -1 on error. */
static int raw_tail_match(PyObject *self, PyObject *o, Py_ssize_t start, Py_ssize_t end, int direction)
{
    View v;
    if (view_get(&v, o) < 0) return -1;
    clip_range(&start, &end, RAW_SIZE(self));
    bool match = end - start >= v.length &&
                 memcmp(RAW_DATA(self) + (direction > 0 ? end - v.length : start), v.data, (size_t)v.length) == 0;
    view_release(&v);
    return match;
}

static PyObject *raw_tail_args(const char *name, PyObject *self, PyObject *const *args, Py_ssize_t nargs, int direction)
{
    Py_ssize_t start, end;
    if (text_find_args(name, args, nargs, &start, &end) < 0) return NULL;
    PyObject *sub = args[0];
    if (PyTuple_Check(sub)) {
        for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(sub); i++) {
            int match = raw_tail_match(self, PyTuple_GET_ITEM(sub, i), start, end, direction);
            if (match) return match < 0 ? NULL : Py_NewRef(Py_True);
        }
        Py_RETURN_FALSE;
    }
    int match = raw_tail_match(self, sub, start, end, direction);
    if (match >= 0) return PyBool_FromLong(match);
    if (PyErr_ExceptionMatches(PyExc_TypeError))
        PyErr_Format(PyExc_TypeError, "%s first arg must be bytes or a tuple of bytes, not %s", name, Py_TYPE(sub)->tp_name);
    return NULL;
}

BUILTIN_FAST(raw, startswith, "($self, prefix[, start[, end]], /)", "Whether data[start:end] begins with prefix, or with one of a tuple of them.")
{
    return raw_tail_args("startswith", self, args, nargs, -1);
}

BUILTIN_FAST(raw, endswith, "($self, suffix[, start[, end]], /)", "Whether data[start:end] ends with suffix, or with one of a tuple of them.")
{
    return raw_tail_args("endswith", self, args, nargs, 1);
}

BUILTIN_O(raw, removeprefix, "($self, prefix, /)", "The bytes without prefix, if they begin so.")
{
    View v;
    if (view_get(&v, arg) < 0) return NULL;
    Py_ssize_t n = RAW_SIZE(self), m = v.length;
    bool match = m > 0 && n >= m && memcmp(RAW_DATA(self), v.data, (size_t)m) == 0;
    PyObject *result = raw_slice(self, match ? m : 0, n);
    view_release(&v);
    return result;
}

BUILTIN_O(raw, removesuffix, "($self, suffix, /)", "The bytes without suffix, if they end so.")
{
    View v;
    if (view_get(&v, arg) < 0) return NULL;
    Py_ssize_t n = RAW_SIZE(self), m = v.length;
    bool match = m > 0 && n >= m && memcmp(RAW_DATA(self) + n - m, v.data, (size_t)m) == 0;
    PyObject *result = raw_slice(self, 0, match ? n - m : n);
    view_release(&v);
    return result;
}

/* ---- splitting ----------------------------------------------------------------------------------------------------- */

static PyObject *raw_split_any(PyObject *self, PyObject *const *arg, bool from_right)
{
    Py_ssize_t max = -1;
    if (arg[1] && text_ssize_arg(arg[1], &max) < 0) return NULL;
    if (!arg[0] || arg[0] == Py_None) {
        Text text = raw_text(self);
        return from_right ? text_rsplit_space(&text, max) : text_split_space(&text, max);
    }
    View v;
    PyObject *list = NULL;
    if (view_get(&v, arg[0]) < 0) return NULL;
    Text text = raw_text(self);
    if (v.length == 0) PyErr_SetString(PyExc_ValueError, "empty separator");
    else list = from_right ? text_rsplit(&text, v.data, v.length, max) : text_split(&text, v.data, v.length, max);
    view_release(&v);
    return list;
}

BUILTIN(raw, split, KEYWORDS, "($self, /, sep=None, maxsplit=-1)", "The pieces between separators as a list; None means white space.")
{
    return raw_split_any(self, arg, false);
}

BUILTIN(raw, rsplit, KEYWORDS, "($self, /, sep=None, maxsplit=-1)", "The pieces between separators as a list, split from the end.")
{
    return raw_split_any(self, arg, true);
}

BUILTIN(raw, splitlines, KEYWORDS, "($self, /, keepends=False)", "The lines as a list, with their ends when keepends is true.")
{
    int keep = arg[0] ? PyObject_IsTrue(arg[0]) : 0;
    if (keep < 0) return NULL;
    Text text = raw_text(self);
    return text_split_lines(&text, keep);
}

static PyObject *raw_partition_at(PyObject *self, PyObject *sep, int direction)
{
    View v;
    PyObject *result = NULL, *parts[3] = { NULL, NULL, NULL };
    if (view_get(&v, sep) < 0) return NULL;
    Py_ssize_t n = RAW_SIZE(self), m = v.length;
    if (m == 0) PyErr_SetString(PyExc_ValueError, "empty separator");
    else {
        const char *p = RAW_DATA(self);
        Py_ssize_t at = direction > 0 ? chars_find(1, p, n, v.data, m) : chars_rfind(1, p, n, v.data, m);
        if (at >= 0) {
            parts[0] = RAW_NEW(p, at);
            parts[1] = RAW_IS_BYTEARRAY ? RAW_NEW(v.data, m) : Py_NewRef(sep);
            parts[2] = RAW_NEW(p + at + m, n - at - m);
        }
        else {
            int whole = direction > 0 ? 0 : 2;
            for (int i = 0; i < 3; i++) parts[i] = i == whole ? (RAW_IS_BYTEARRAY ? RAW_NEW(p, n) : Py_NewRef(self)) : RAW_NEW(NULL, 0);
        }
        if (parts[0] && parts[1] && parts[2]) result = PyTuple_Pack(3, parts[0], parts[1], parts[2]);
    }
    for (int i = 0; i < 3; i++) Py_XDECREF(parts[i]);
    view_release(&v);
    return result;
}

BUILTIN_O(raw, partition, "($self, sep, /)", "(head, sep, tail) around the first sep, or (data, b'', b'') without one.")
{
    return raw_partition_at(self, arg, 1);
}

BUILTIN_O(raw, rpartition, "($self, sep, /)", "(head, sep, tail) around the last sep, or (b'', b'', data) without one.")
{
    return raw_partition_at(self, arg, -1);
}

/* ---- joining, replacing, translating ------------------------------------------------------------------------------ */

BUILTIN(raw, replace, POSITIONAL, "($self, old, new, count=-1, /)", "A copy with at most count (-1: all) occurrences of old replaced by new.")
{
    Py_ssize_t max = -1;
    View old, new;
    PyObject *result = NULL;
    if (view_get(&old, arg[0]) < 0) return NULL;
    if (view_get(&new, arg[1]) < 0) {
        view_release(&old);
        return NULL;
    }
    if (arg[2] && text_ssize_arg(arg[2], &max) < 0) goto done;
    const char *p = RAW_DATA(self);
    Py_ssize_t n = RAW_SIZE(self), m = old.length, k = new.length;
    if (max < 0) max = PY_SSIZE_T_MAX;
    Py_ssize_t count = m == 0 ? (k == 0 ? 0 : max < n + 1 ? max : n + 1) : chars_count(1, p, n, old.data, m, max);
    if (count == 0) {
        result = RAW_SAME(self);
        goto done;
    }
    if (k > m && k - m > (PY_SSIZE_T_MAX - n) / count) {
        PyErr_SetString(PyExc_OverflowError, "replace bytes are too long");
        goto done;
    }
    Py_ssize_t size = n + count * (k - m);
    if (!(result = RAW_NEW(NULL, size)) || size == 0) goto done;
    char *out = RAW_DATA(result);
    const char *end = p + n;
    for (Py_ssize_t i = 0; i < count; i++) {
        Py_ssize_t before = m == 0 ? (i > 0) : chars_find(1, p, end - p, old.data, m);
        memcpy(out, p, (size_t)before);
        memcpy(out + before, new.data, (size_t)k);
        out += before + k;
        p += before + m;
    }
    memcpy(out, p, (size_t)(end - p));
done:
    view_release(&old);
    view_release(&new);
    return result;
}

BUILTIN(raw, translate, KEYWORDS, "($self, table, /, delete=b'')", "A copy without the bytes in delete, the others replaced as table, 256 bytes or None, says.")
{
    View table = { 0 }, del = { 0 };
    PyObject *result = NULL;
    bool drop[256] = { false };
    if (arg[0] != Py_None && view_get(&table, arg[0]) < 0) return NULL;
    if (arg[0] != Py_None && table.length != 256) {
        PyErr_SetString(PyExc_ValueError, "translation table must be 256 characters long");
        goto done;
    }
    if (arg[1]) {
        if (view_get(&del, arg[1]) < 0) goto done;
        for (Py_ssize_t i = 0; i < del.length; i++) drop[(unsigned char)del.data[i]] = true;
    }
    Py_ssize_t n = RAW_SIZE(self), size = 0;
    const unsigned char *p = (const unsigned char *)RAW_DATA(self);
    for (Py_ssize_t i = 0; i < n; i++) size += !drop[p[i]];
    if (!(result = RAW_NEW(NULL, size)) || size == 0) goto done;
    char *out = RAW_DATA(result);
    bool changed = size != n;
    for (Py_ssize_t i = 0; i < n; i++) {
        if (drop[p[i]]) continue;
        char c = table.data ? table.data[p[i]] : (char)p[i];
        changed |= c != (char)p[i];
        *out++ = c;
    }
    if (!changed && !RAW_IS_BYTEARRAY && PyBytes_CheckExact(self)) {
        Py_SETREF(result, Py_NewRef(self));
    }
    else if (size == 1 && !RAW_IS_BYTEARRAY) Py_SETREF(result, RAW_NEW(RAW_DATA(result), 1));
done:
    view_release(&table);
    view_release(&del);
    return result;
}

BUILTIN(raw, maketrans, POSITIONAL, "(frm, to, /)", "A table for translate() that replaces each byte of frm by the one of to at the same place.")
{
    View from, to;
    PyObject *table = NULL;
    if (view_get(&from, arg[0]) < 0) return NULL;
    if (view_get(&to, arg[1]) < 0) {
        view_release(&from);
        return NULL;
    }
    if (from.length != to.length) PyErr_SetString(PyExc_ValueError, "maketrans arguments must have same length");
    else if ((table = PyBytes_FromStringAndSize(NULL, 256))) {
        char *p = PyBytes_AS_STRING(table);
        for (int i = 0; i < 256; i++) p[i] = (char)i;
        for (Py_ssize_t i = 0; i < from.length; i++) p[(unsigned char)from.data[i]] = to.data[i];
    }
    view_release(&from);
    view_release(&to);
    return table;
}

/* ---- stripping, padding -------------------------------------------------------------------------------------------- */

static PyObject *raw_strip_sides(PyObject *self, PyObject *chars, int sides)
{
    Py_ssize_t start, end;
    if (!chars || chars == Py_None) {
        Text text = raw_text(self);
        text_strip_space(&text, sides, &start, &end);
    }
    else {
        View v;
        if (view_get(&v, chars) < 0) return NULL;
        Text text = raw_text(self);
        text_strip_chars(&text, 1, v.data, v.length, sides, &start, &end);
        view_release(&v);
    }
    return raw_slice(self, start, end);
}

BUILTIN(raw, strip, POSITIONAL, "($self, bytes=None, /)", "A copy without white space, or without the given bytes, at both ends.")
{
    return raw_strip_sides(self, arg[0], STRIP_BOTH);
}

BUILTIN(raw, lstrip, POSITIONAL, "($self, bytes=None, /)", "A copy without white space, or without the given bytes, at its start.")
{
    return raw_strip_sides(self, arg[0], STRIP_LEFT);
}

BUILTIN(raw, rstrip, POSITIONAL, "($self, bytes=None, /)", "A copy without white space, or without the given bytes, at its end.")
{
    return raw_strip_sides(self, arg[0], STRIP_RIGHT);
}

static PyObject *raw_pad(PyObject *self, Py_ssize_t left, Py_ssize_t right, char fill)
{
    Py_ssize_t n = RAW_SIZE(self);
    if (left <= 0 && right <= 0) return RAW_SAME(self);
    if (left > PY_SSIZE_T_MAX - n || right > PY_SSIZE_T_MAX - (left + n)) return PyErr_NoMemory();
    PyObject *result = RAW_NEW(NULL, left + n + right);
    if (!result) return NULL;
    char *p = RAW_DATA(result);
    memset(p, fill, (size_t)left);
    memcpy(p + left, RAW_DATA(self), (size_t)n);
    memset(p + left + n, fill, (size_t)right);
    return result;
}

static int raw_pad_args(const char *name, PyObject *const *arg, Py_ssize_t *width, char *fill)
{
    *fill = ' ';
    if (text_ssize_arg(arg[0], width) < 0) return -1;
    if (!arg[1]) return 0;
    if (PyBytes_Check(arg[1]) && PyBytes_GET_SIZE(arg[1]) == 1) *fill = PyBytes_AS_STRING(arg[1])[0];
    else if (PyByteArray_Check(arg[1]) && PyByteArray_GET_SIZE(arg[1]) == 1) *fill = PyByteArray_AS_STRING(arg[1])[0];
    else return text_wrong_type(name, "argument 2", "a byte string of length 1", arg[1]);
    return 0;
}

BUILTIN(raw, center, POSITIONAL, "($self, width, fillchar=b' ', /)", "The bytes in the middle of width bytes.")
{
    Py_ssize_t width;
    char fill;
    if (raw_pad_args("center", arg, &width, &fill) < 0) return NULL;
    Py_ssize_t margin = width - RAW_SIZE(self);
    if (margin <= 0) return RAW_SAME(self);
    Py_ssize_t left = margin / 2 + (margin & width & 1);
    return raw_pad(self, left, margin - left, fill);
}

BUILTIN(raw, ljust, POSITIONAL, "($self, width, fillchar=b' ', /)", "The bytes at the left of width bytes.")
{
    Py_ssize_t width;
    char fill;
    if (raw_pad_args("ljust", arg, &width, &fill) < 0) return NULL;
    return raw_pad(self, 0, width < 0 ? 0 : width - RAW_SIZE(self), fill);
}

BUILTIN(raw, rjust, POSITIONAL, "($self, width, fillchar=b' ', /)", "The bytes at the right of width bytes.")
{
    Py_ssize_t width;
    char fill;
    if (raw_pad_args("rjust", arg, &width, &fill) < 0) return NULL;
    Py_ssize_t left = width < 0 ? 0 : width - RAW_SIZE(self);
    return raw_pad(self, left < 0 ? 0 : left, 0, fill);
}

BUILTIN_O(raw, zfill, "($self, width, /)", "The bytes with zeros in front, behind a sign, to be width long.")
{
    Py_ssize_t width, n = RAW_SIZE(self);
    if (text_ssize_arg(arg, &width) < 0) return NULL;
    n = RAW_SIZE(self);
    if (n >= width) return RAW_SAME(self);
    PyObject *result = raw_pad(self, width - n, 0, '0');
    if (!result || n == 0) return result;
    char *p = RAW_DATA(result);
    if (p[width - n] == '+' || p[width - n] == '-') {
        p[0] = p[width - n];
        p[width - n] = '0';
    }
    return result;
}

BUILTIN(raw, expandtabs, KEYWORDS, "($self, /, tabsize=8)", "A copy with tabs replaced by spaces up to the next multiple of tabsize.")
{
    int tab = 8;
    if (arg[0] && text_int_arg(arg[0], &tab) < 0) return NULL;
    Py_ssize_t n = RAW_SIZE(self), size = 0, column = 0;
    const char *p = RAW_DATA(self);
    for (Py_ssize_t i = 0; i < n; i++) {
        Py_ssize_t step = p[i] != '\t' ? 1 : tab > 0 ? tab - column % tab : 0;
        if (step > PY_SSIZE_T_MAX - size) {
            PyErr_SetString(PyExc_OverflowError, "result too long");
            return NULL;
        }
        size += step;
        column = p[i] == '\n' || p[i] == '\r' ? 0 : column + step;
    }
    PyObject *result = RAW_NEW(NULL, size);
    if (!result || size == 0) return result;
    char *out = RAW_DATA(result);
    column = 0;
    for (Py_ssize_t i = 0; i < n; i++) {
        Py_ssize_t step = p[i] != '\t' ? 1 : tab > 0 ? tab - column % tab : 0;
        memset(out, p[i] == '\t' ? ' ' : p[i], (size_t)step);
        out += step;
        column = p[i] == '\n' || p[i] == '\r' ? 0 : column + step;
    }
    return result;
}

/* ---- ASCII case and classes ----------------------------------------------------------------------------------------- */

static PyObject *raw_all_have(PyObject *self, unsigned class)
{
    const char *p = RAW_DATA(self);
    Py_ssize_t n = RAW_SIZE(self);
    if (n == 0) Py_RETURN_FALSE;
    for (Py_ssize_t i = 0; i < n; i++) if (!(_Py_ctype_table[(unsigned char)p[i]] & class)) Py_RETURN_FALSE;
    Py_RETURN_TRUE;
}

BUILTIN_NOARGS(raw, isalnum, "($self, /)", "Whether all bytes are ASCII letters or digits and there is one.") { return raw_all_have(self, PY_CTF_ALNUM); }
BUILTIN_NOARGS(raw, isalpha, "($self, /)", "Whether all bytes are ASCII letters and there is one.") { return raw_all_have(self, PY_CTF_ALPHA); }
BUILTIN_NOARGS(raw, isdigit, "($self, /)", "Whether all bytes are ASCII digits and there is one.") { return raw_all_have(self, PY_CTF_DIGIT); }
BUILTIN_NOARGS(raw, isspace, "($self, /)", "Whether all bytes are ASCII white space and there is one.") { return raw_all_have(self, PY_CTF_SPACE); }

BUILTIN_NOARGS(raw, isascii, "($self, /)", "Whether all bytes are below 128.")
{
    return PyBool_FromLong(is_ascii_bytes(RAW_DATA(self), (size_t)RAW_SIZE(self)));
}

static PyObject *raw_is_case(PyObject *self, unsigned wanted, unsigned unwanted)
{
    const char *p = RAW_DATA(self);
    unsigned seen = 0;
    for (Py_ssize_t i = 0, n = RAW_SIZE(self); i < n; i++) seen |= _Py_ctype_table[(unsigned char)p[i]];
    return PyBool_FromLong((seen & wanted) && !(seen & unwanted));
}

BUILTIN_NOARGS(raw, islower, "($self, /)", "Whether there are ASCII letters and all are lower case.") { return raw_is_case(self, PY_CTF_LOWER, PY_CTF_UPPER); }
BUILTIN_NOARGS(raw, isupper, "($self, /)", "Whether there are ASCII letters and all are upper case.") { return raw_is_case(self, PY_CTF_UPPER, PY_CTF_LOWER); }

BUILTIN_NOARGS(raw, istitle, "($self, /)", "Whether ASCII upper case begins words only and lower case continues them only.")
{
    const char *p = RAW_DATA(self);
    bool cased = false, previous = false;
    for (Py_ssize_t i = 0, n = RAW_SIZE(self); i < n; i++) {
        if (Py_ISUPPER(p[i])) {
            if (previous) Py_RETURN_FALSE;
            previous = cased = true;
        }
        else if (Py_ISLOWER(p[i])) {
            if (!previous) Py_RETURN_FALSE;
            cased = true;
        }
        else previous = false;
    }
    return PyBool_FromLong(cased);
}

/* A copy of self to change in place, never shared. *p: its bytes. */
static PyObject *raw_copy(PyObject *self, char **p)
{
    Py_ssize_t n = RAW_SIZE(self);
    PyObject *copy = RAW_NEW(NULL, n);
    if (!copy) return NULL;
    *p = RAW_DATA(copy);
    if (n) memcpy(*p, RAW_DATA(self), (size_t)n);
    return copy;
}

BUILTIN_NOARGS(raw, lower, "($self, /)", "A copy with ASCII letters in lower case.")
{
    char *p;
    PyObject *copy = raw_copy(self, &p);
    for (Py_ssize_t i = 0, n = copy ? RAW_SIZE(copy) : 0; i < n; i++) p[i] = (char)Py_TOLOWER(p[i]);
    return copy;
}

BUILTIN_NOARGS(raw, upper, "($self, /)", "A copy with ASCII letters in upper case.")
{
    char *p;
    PyObject *copy = raw_copy(self, &p);
    for (Py_ssize_t i = 0, n = copy ? RAW_SIZE(copy) : 0; i < n; i++) p[i] = (char)Py_TOUPPER(p[i]);
    return copy;
}

BUILTIN_NOARGS(raw, swapcase, "($self, /)", "A copy with the case of ASCII letters swapped.")
{
    char *p;
    PyObject *copy = raw_copy(self, &p);
    for (Py_ssize_t i = 0, n = copy ? RAW_SIZE(copy) : 0; i < n; i++) if (Py_ISALPHA(p[i])) p[i] ^= 0x20;
    return copy;
}

BUILTIN_NOARGS(raw, capitalize, "($self, /)", "A copy with the first byte in upper and the rest in lower case, if ASCII letters.")
{
    char *p;
    PyObject *copy = raw_copy(self, &p);
    for (Py_ssize_t i = 0, n = copy ? RAW_SIZE(copy) : 0; i < n; i++) p[i] = (char)(i ? Py_TOLOWER(p[i]) : Py_TOUPPER(p[i]));
    return copy;
}

BUILTIN_NOARGS(raw, title, "($self, /)", "A copy in which ASCII words begin with upper case and go on in lower case.")
{
    char *p;
    PyObject *copy = raw_copy(self, &p);
    bool in_word = false;
    for (Py_ssize_t i = 0, n = copy ? RAW_SIZE(copy) : 0; i < n; i++) {
        bool letter = Py_ISALPHA(p[i]);
        p[i] = (char)(in_word ? Py_TOLOWER(p[i]) : Py_TOUPPER(p[i]));
        in_word = letter;
    }
    return copy;
}

/* ---- text ------------------------------------------------------------------------------------------------------------ */

BUILTIN(raw, decode, KEYWORDS, "($self, /, encoding='utf-8', errors='strict')", "The text that the bytes encode.")
{
    const char *encoding = NULL, *errors = NULL;
    if (arg[0] && !(encoding = text_codec_arg("decode", "argument 'encoding'", arg[0]))) return NULL;
    if (arg[1] && !(errors = text_codec_arg("decode", "argument 'errors'", arg[1]))) return NULL;
    return PyUnicode_FromEncodedObject(self, encoding, errors);
}

BUILTIN(raw, hex, KEYWORDS, "($self, /, sep=<unrepresentable>, bytes_per_sep=1)",
        "Two hexadecimal digits a byte, with sep between groups of bytes_per_sep, counted from the right (negative: from the left).\n\n"
        ">>> value = b'\\xc0\\xff\\xee'\n"
        ">>> value.hex()\n"
        "'c0ffee'\n"
        ">>> value.hex(':')\n"
        "'c0:ff:ee'\n"
        ">>> value.hex(':', 2)\n"
        "'c0:ffee'\n"
        ">>> value.hex(':', -2)\n"
        "'c0ff:ee'\n")
{
    int group = 1;
    if (arg[1] && text_int_arg(arg[1], &group) < 0) return NULL;
    return bytes_hex(RAW_DATA(self), RAW_SIZE(self), arg[0], group, false);
}

BUILTIN_O(raw, fromhex, "($type, string, /)", "The bytes that a string of hexadecimal digits stands for; spaces between them are skipped.")
{
    if (!PyUnicode_Check(arg)) {
        text_wrong_type("fromhex", "argument", "str", arg);
        return NULL;
    }
    PyObject *bytes = bytes_from_hex(arg);
    if (!bytes || self == (PyObject *)&PyBytes_Type) return bytes;
    PyObject *result = PyObject_CallOneArg(self, bytes);
    Py_DECREF(bytes);
    return result;
}

BUILTIN_O(raw, join, "($self, iterable_of_bytes, /)", "The bytes-like objects of an iterable one after the other, with these bytes between them.")
{
    PyObject *result;
    if (RAW_IS_BYTEARRAY) {                                  /* nothing may resize self meanwhile */
        ((PyByteArrayObject *)self)->ob_exports++;
        result = bytes_join(RAW_DATA(self), RAW_SIZE(self), arg, true);
        ((PyByteArrayObject *)self)->ob_exports--;
    }
    else result = bytes_join(RAW_DATA(self), RAW_SIZE(self), arg, false);
    return result;
}

#define RAW_METHODS \
    METHOD(raw, capitalize), METHOD(raw, center), METHOD(raw, count), METHOD(raw, decode), METHOD(raw, endswith), METHOD(raw, expandtabs), \
    METHOD(raw, find), METHOD_CLASS(raw, fromhex), METHOD(raw, hex), METHOD(raw, index), METHOD(raw, isalnum), METHOD(raw, isalpha), \
    METHOD(raw, isascii), METHOD(raw, isdigit), METHOD(raw, islower), METHOD(raw, isspace), METHOD(raw, istitle), METHOD(raw, isupper), \
    METHOD(raw, join), METHOD(raw, ljust), METHOD(raw, lower), METHOD(raw, lstrip), METHOD_STATIC(raw, maketrans), METHOD(raw, partition), \
    METHOD(raw, removeprefix), METHOD(raw, removesuffix), METHOD(raw, replace), METHOD(raw, rfind), METHOD(raw, rindex), METHOD(raw, rjust), \
    METHOD(raw, rpartition), METHOD(raw, rsplit), METHOD(raw, rstrip), METHOD(raw, split), METHOD(raw, splitlines), METHOD(raw, startswith), \
    METHOD(raw, strip), METHOD(raw, swapcase), METHOD(raw, title), METHOD(raw, translate), METHOD(raw, upper), METHOD(raw, zfill)
