/* The methods of str, but case (str_case.c), format (format_*.c) and translate (str_translate.c), and the PyUnicode_ functions
 * that say the same. */
#include "capi/args.h"
#include "objects/format.h"
#include "objects/str_private.h"
#include "objects/text.h"
#include "objects/unicode_data.h"
#include "objects/unicode_private.h"

/* ---- splitting ----------------------------------------------------------------------------------------------------- */

static PyObject *str_piece(int kind, const void *p, Py_ssize_t n) { return str_from_chars(kind, p, n); }
static PyObject *str_piece_ascii(int kind, const void *p, Py_ssize_t n) { return str_from_ascii(p, n); }

static Text text_of(PyObject *s)
{
    return (Text){ DATA(s), LENGTH(s), KIND(s), text_traits_str, PyUnicode_CheckExact(s) ? s : NULL,
                   PyUnicode_IS_ASCII(s) ? str_piece_ascii : str_piece };
}

static PyObject *str_split_any(PyObject *s, PyObject *sep, Py_ssize_t max, bool from_right)
{
    Text text = text_of(s);
    if (!sep) return from_right ? text_rsplit_space(&text, max) : text_split_space(&text, max);
    Py_ssize_t m = LENGTH(sep);
    if (m == 0) {
        PyErr_SetString(PyExc_ValueError, "empty separator");
        return NULL;
    }
    if (KIND(sep) > text.kind || m > text.length) {        /* cannot occur */
        PyObject *list = PyList_New(1), *only = list ? str_exact(s) : NULL;
        if (!only) {
            Py_XDECREF(list);
            return NULL;
        }
        PyList_SET_ITEM(list, 0, only);
        return list;
    }
    Needle needle;
    if (needle_init(&needle, sep, text.kind) < 0) return NULL;
    PyObject *list = from_right ? text_rsplit(&text, needle.data, m, max) : text_split(&text, needle.data, m, max);
    needle_clear(&needle);
    return list;
}

PyObject *PyUnicode_Split(PyObject *s, PyObject *sep, Py_ssize_t max)
{
    if (str_require(s) < 0 || (sep && str_require(sep) < 0)) return NULL;
    return str_split_any(s, sep, max, false);
}

PyObject *PyUnicode_RSplit(PyObject *s, PyObject *sep, Py_ssize_t max)
{
    if (str_require(s) < 0 || (sep && str_require(sep) < 0)) return NULL;
    return str_split_any(s, sep, max, true);
}

static PyObject *split_with_args(PyObject *s, PyObject *const *arg, bool from_right)
{
    PyObject *sep = arg[0] == Py_None ? NULL : arg[0];
    Py_ssize_t max = -1;
    if (arg[1] && text_ssize_arg(arg[1], &max) < 0) return NULL;
    if (sep && UNLIKELY(!PyUnicode_Check(sep))) {
        PyErr_Format(PyExc_TypeError, "must be str or None, not %.100s", Py_TYPE(sep)->tp_name);
        return NULL;
    }
    return str_split_any(s, sep, max, from_right);
}

BUILTIN(str, split, KEYWORDS, "($self, /, sep=None, maxsplit=-1)",
        "The words of the text as a list.\n\n  sep\n    What stands between them; None means any white space, and drops empty words.\n"
        "  maxsplit\n    Most splits to make, from the left; -1 for no limit.")
{
    return split_with_args(self, arg, false);
}

BUILTIN(str, rsplit, KEYWORDS, "($self, /, sep=None, maxsplit=-1)",
        "The words of the text as a list, split from its end.\n\n  sep\n    What stands between them; None means any white space, and drops empty words.\n"
        "  maxsplit\n    Most splits to make, from the right; -1 for no limit.")
{
    return split_with_args(self, arg, true);
}

PyObject *PyUnicode_Splitlines(PyObject *s, int keep_ends)
{
    if (str_require(s) < 0) return NULL;
    Text text = text_of(s);
    return text_split_lines(&text, keep_ends != 0);
}

BUILTIN(str, splitlines, KEYWORDS, "($self, /, keepends=False)", "The lines of the text as a list, with their ends when keepends is true.")
{
    int keep = arg[0] ? PyObject_IsTrue(arg[0]) : 0;
    return keep < 0 ? NULL : PyUnicode_Splitlines(self, keep);
}

static PyObject *partition(PyObject *s, PyObject *sep, int direction)
{
    if (str_require(s) < 0 || str_require(sep) < 0) return NULL;
    Py_ssize_t m = LENGTH(sep);
    if (m == 0) {
        PyErr_SetString(PyExc_ValueError, "empty separator");
        return NULL;
    }
    Py_ssize_t at = str_search(s, sep, 0, PY_SSIZE_T_MAX, direction);
    if (at == -2) return NULL;
    if (at == -1) return direction > 0 ? PyTuple_Pack(3, s, EMPTY_STR, EMPTY_STR) : PyTuple_Pack(3, EMPTY_STR, EMPTY_STR, s);
    PyObject *before = str_substring(s, 0, at), *after = before ? str_substring(s, at + m, LENGTH(s)) : NULL;
    PyObject *result = after ? PyTuple_Pack(3, before, sep, after) : NULL;
    Py_XDECREF(before);
    Py_XDECREF(after);
    return result;
}

PyObject *PyUnicode_Partition(PyObject *s, PyObject *sep) { return partition(s, sep, 1); }
PyObject *PyUnicode_RPartition(PyObject *s, PyObject *sep) { return partition(s, sep, -1); }

BUILTIN_O(str, partition, "($self, sep, /)", "(head, sep, tail) around the first sep, or (text, '', '') without one.")
{
    return partition(self, arg, 1);
}

BUILTIN_O(str, rpartition, "($self, sep, /)", "(head, sep, tail) around the last sep, or ('', '', text) without one.")
{
    return partition(self, arg, -1);
}

/* ---- searching ----------------------------------------------------------------------------------------------------- */

static Py_ssize_t find_with_args(const char *name, PyObject *s, PyObject *const *args, Py_ssize_t nargs, int direction)
{
    Py_ssize_t start, end;
    if (text_find_args(name, args, nargs, &start, &end) < 0) return -2;
    if (UNLIKELY(!PyUnicode_Check(args[0]))) {
        text_wrong_type(name, "argument 1", "str", args[0]);
        return -2;
    }
    return str_search(s, args[0], start, end, direction);
}

static PyObject *index_with_args(const char *name, PyObject *s, PyObject *const *args, Py_ssize_t nargs, int direction)
{
    Py_ssize_t at = find_with_args(name, s, args, nargs, direction);
    if (at >= 0) return PyLong_FromSsize_t(at);
    if (at == -1) PyErr_SetString(PyExc_ValueError, "substring not found");
    return NULL;
}

BUILTIN_FAST(str, find, "($self, sub[, start[, end]], /)", "Lowest index in text[start:end] where sub begins, or -1.")
{
    Py_ssize_t at = find_with_args("find", self, args, nargs, 1);
    return at == -2 ? NULL : PyLong_FromSsize_t(at);
}

BUILTIN_FAST(str, rfind, "($self, sub[, start[, end]], /)", "Highest index in text[start:end] where sub begins, or -1.")
{
    Py_ssize_t at = find_with_args("rfind", self, args, nargs, -1);
    return at == -2 ? NULL : PyLong_FromSsize_t(at);
}

BUILTIN_FAST(str, index, "($self, sub[, start[, end]], /)", "Lowest index in text[start:end] where sub begins; ValueError without one.")
{
    return index_with_args("index", self, args, nargs, 1);
}

BUILTIN_FAST(str, rindex, "($self, sub[, start[, end]], /)", "Highest index in text[start:end] where sub begins; ValueError without one.")
{
    return index_with_args("rindex", self, args, nargs, -1);
}

BUILTIN_FAST(str, count, "($self, sub[, start[, end]], /)", "How often sub occurs in text[start:end] without overlap.")
{
    Py_ssize_t start, end;
    if (text_find_args("count", args, nargs, &start, &end) < 0) return NULL;
    if (UNLIKELY(!PyUnicode_Check(args[0]))) {
        text_wrong_type("count", "argument 1", "str", args[0]);
        return NULL;
    }
    Py_ssize_t count = PyUnicode_Count(self, args[0], start, end);
    return count < 0 ? NULL : PyLong_FromSsize_t(count);
}

static PyObject *tail_with_args(const char *name, PyObject *s, PyObject *const *args, Py_ssize_t nargs, int direction)
{
    Py_ssize_t start, end;
    if (text_find_args(name, args, nargs, &start, &end) < 0) return NULL;
    PyObject *sub = args[0];
    if (PyUnicode_Check(sub)) return PyBool_FromLong(PyUnicode_Tailmatch(s, sub, start, end, direction) > 0);
    if (!PyTuple_Check(sub)) {
        PyErr_Format(PyExc_TypeError, "%s first arg must be str or a tuple of str, not %.100s", name, Py_TYPE(sub)->tp_name);
        return NULL;
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(sub); i++) {
        PyObject *item = PyTuple_GET_ITEM(sub, i);
        if (!PyUnicode_Check(item)) {
            PyErr_Format(PyExc_TypeError, "tuple for %s must only contain str, not %.100s", name, Py_TYPE(item)->tp_name);
            return NULL;
        }
        if (PyUnicode_Tailmatch(s, item, start, end, direction) > 0) Py_RETURN_TRUE;
    }
    Py_RETURN_FALSE;
}

BUILTIN_FAST(str, startswith, "($self, prefix[, start[, end]], /)", "Whether text[start:end] begins with prefix, or with one of a tuple of them.")
{
    return tail_with_args("startswith", self, args, nargs, -1);
}

BUILTIN_FAST(str, endswith, "($self, suffix[, start[, end]], /)", "Whether text[start:end] ends with suffix, or with one of a tuple of them.")
{
    return tail_with_args("endswith", self, args, nargs, 1);
}

BUILTIN_O(str, removeprefix, "($self, prefix, /)", "The text without prefix, if it begins so.")
{
    if (!PyUnicode_Check(arg)) {
        text_wrong_type("removeprefix", "argument", "str", arg);
        return NULL;
    }
    if (PyUnicode_Tailmatch(self, arg, 0, PY_SSIZE_T_MAX, -1) > 0) return str_substring(self, LENGTH(arg), LENGTH(self));
    return str_exact(self);
}

BUILTIN_O(str, removesuffix, "($self, suffix, /)", "The text without suffix, if it ends so.")
{
    if (!PyUnicode_Check(arg)) {
        text_wrong_type("removesuffix", "argument", "str", arg);
        return NULL;
    }
    if (PyUnicode_Tailmatch(self, arg, 0, PY_SSIZE_T_MAX, 1) > 0) return str_substring(self, 0, LENGTH(self) - LENGTH(arg));
    return str_exact(self);
}

/* ---- joining, replacing -------------------------------------------------------------------------------------------- */

BUILTIN_O(str, join, "($self, iterable, /)", "The strings of iterable one after the other, with this text between them.")
{
    return PyUnicode_Join(self, arg);
}

BUILTIN(str, replace, KEYWORDS, "($self, old, new, /, count=-1)",
        "A copy with occurrences of old replaced by new.\n\n  count\n    Most occurrences to replace, from the left; -1 for all.")
{
    Py_ssize_t count = -1;
    for (int i = 0; i < 2; i++) {
        if (PyUnicode_Check(arg[i])) continue;
        text_wrong_type("replace", i ? "argument 2" : "argument 1", "str", arg[i]);
        return NULL;
    }
    if (arg[2] && text_ssize_arg(arg[2], &count) < 0) return NULL;
    return PyUnicode_Replace(self, arg[0], arg[1], count);
}

/* ---- stripping, padding -------------------------------------------------------------------------------------------- */

static PyObject *strip(PyObject *s, PyObject *chars, int sides, const char *name)
{
    Py_ssize_t start, end;
    Text text = text_of(s);
    if (!chars || chars == Py_None) text_strip_space(&text, sides, &start, &end);
    else if (PyUnicode_Check(chars)) text_strip_chars(&text, KIND(chars), DATA(chars), LENGTH(chars), sides, &start, &end);
    else {
        PyErr_Format(PyExc_TypeError, "%s arg must be None or str", name);
        return NULL;
    }
    return str_substring(s, start, end);
}

BUILTIN(str, strip, POSITIONAL, "($self, chars=None, /)", "The text without white space, or without any of chars, at both ends.")
{
    return strip(self, arg[0], STRIP_BOTH, "strip");
}

BUILTIN(str, lstrip, POSITIONAL, "($self, chars=None, /)", "The text without white space, or without any of chars, at its start.")
{
    return strip(self, arg[0], STRIP_LEFT, "lstrip");
}

BUILTIN(str, rstrip, POSITIONAL, "($self, chars=None, /)", "The text without white space, or without any of chars, at its end.")
{
    return strip(self, arg[0], STRIP_RIGHT, "rstrip");
}

/* s between left and right fill characters. */
static PyObject *str_pad(PyObject *s, Py_ssize_t left, Py_ssize_t right, Py_UCS4 fill)
{
    Py_ssize_t n = LENGTH(s);
    if (left < 0) left = 0;
    if (right < 0) right = 0;
    if (left == 0 && right == 0) return str_exact(s);
    if (left > PY_SSIZE_T_MAX - n || right > PY_SSIZE_T_MAX - (left + n)) {
        PyErr_SetString(PyExc_OverflowError, "padded string is too long");
        return NULL;
    }
    Py_UCS4 max = PyUnicode_MAX_CHAR_VALUE(s);
    n += left + right;
    if (n == 1) return str_from_char_inline(fill);         /* s is empty */
    PyObject *result = str_alloc_max(n, max > fill ? max : fill);
    if (!result) return NULL;
    int kind = KIND(result);
    chars_fill(kind, DATA(result), fill, left);
    str_copy(result, left, s, 0, LENGTH(s));
    chars_fill(kind, chars_at(kind, DATA(result), n - right), fill, right);
    return result;
}

static int pad_args(PyObject *const *arg, Py_ssize_t *width, Py_UCS4 *fill)
{
    *fill = ' ';
    if (text_ssize_arg(arg[0], width) < 0) return -1;
    if (!arg[1]) return 0;
    if (!PyUnicode_Check(arg[1])) {
        PyErr_Format(PyExc_TypeError, "The fill character must be a unicode character, not %.100s", Py_TYPE(arg[1])->tp_name);
        return -1;
    }
    if (LENGTH(arg[1]) != 1) {
        PyErr_SetString(PyExc_TypeError, "The fill character must be exactly one character long");
        return -1;
    }
    *fill = PyUnicode_READ_CHAR(arg[1], 0);
    return 0;
}

BUILTIN(str, center, POSITIONAL, "($self, width, fillchar=' ', /)", "The text in the middle of width characters.")
{
    Py_ssize_t width, n = LENGTH(self);
    Py_UCS4 fill;
    if (pad_args(arg, &width, &fill) < 0) return NULL;
    if (n >= width) return str_exact(self);
    Py_ssize_t margin = width - n, left = margin / 2 + (margin & width & 1);
    return str_pad(self, left, margin - left, fill);
}

BUILTIN(str, ljust, POSITIONAL, "($self, width, fillchar=' ', /)", "The text at the left of width characters.")
{
    Py_ssize_t width;
    Py_UCS4 fill;
    if (pad_args(arg, &width, &fill) < 0) return NULL;
    return width <= LENGTH(self) ? str_exact(self) : str_pad(self, 0, width - LENGTH(self), fill);
}

BUILTIN(str, rjust, POSITIONAL, "($self, width, fillchar=' ', /)", "The text at the right of width characters.")
{
    Py_ssize_t width;
    Py_UCS4 fill;
    if (pad_args(arg, &width, &fill) < 0) return NULL;
    return width <= LENGTH(self) ? str_exact(self) : str_pad(self, width - LENGTH(self), 0, fill);
}

BUILTIN_O(str, zfill, "($self, width, /)", "The text with zeros in front, behind its sign, to be width long.")
{
    Py_ssize_t width, n = LENGTH(self);
    if (text_ssize_arg(arg, &width) < 0) return NULL;
    if (n >= width) return str_exact(self);
    PyObject *result = str_pad(self, width - n, 0, '0');
    if (!result || n == 0) return result;
    int kind = KIND(result);
    Py_UCS4 first = PyUnicode_READ(kind, DATA(result), width - n);
    if (first == '+' || first == '-') {
        PyUnicode_WRITE(kind, DATA(result), 0, first);
        PyUnicode_WRITE(kind, DATA(result), width - n, '0');
    }
    return result;
}

/* The next column that is a multiple of tab; -1 on overflow. */
static Py_ssize_t expanded_length(PyObject *s, int tab, bool *found)
{
    Py_ssize_t length = 0, column = 0;
    int kind = KIND(s);
    for (Py_ssize_t i = 0; i < LENGTH(s); i++) {
        Py_UCS4 c = PyUnicode_READ(kind, DATA(s), i);
        Py_ssize_t step = 1;
        if (c == '\t') {
            *found = true;
            step = tab > 0 ? tab - column % tab : 0;
        }
        if (step > PY_SSIZE_T_MAX - length) return -1;
        length += step;
        column = c == '\n' || c == '\r' ? 0 : column + step;
    }
    return length;
}

BUILTIN(str, expandtabs, KEYWORDS, "($self, /, tabsize=8)", "A copy with tabs replaced by spaces up to the next multiple of tabsize.")
{
    int tab = 8;
    bool found = false;
    if (arg[0] && text_int_arg(arg[0], &tab) < 0) return NULL;
    Py_ssize_t length = expanded_length(self, tab, &found);
    if (length < 0) {
        PyErr_SetString(PyExc_OverflowError, "new string is too long");
        return NULL;
    }
    if (!found) return str_exact(self);
    PyObject *result = PyUnicode_New(length, PyUnicode_MAX_CHAR_VALUE(self));
    if (!result || length == 0) return result;
    int kind = KIND(self);
    void *out = DATA(result);
    Py_ssize_t column = 0, at = 0;
    for (Py_ssize_t i = 0; i < LENGTH(self); i++) {
        Py_UCS4 c = PyUnicode_READ(kind, DATA(self), i);
        if (c == '\t') {
            Py_ssize_t step = tab > 0 ? tab - column % tab : 0;
            chars_fill(kind, chars_at(kind, out, at), ' ', step);
            at += step;
            column += step;
        }
        else {
            PyUnicode_WRITE(kind, out, at, c);
            at++;
            column = c == '\n' || c == '\r' ? 0 : column + 1;
        }
    }
    return length > 1 ? result : str_finish(result, length);
}

/* ---- tests on characters ------------------------------------------------------------------------------------------- */

/* Whether every character has one of the flags; false for the empty string. */
static PyObject *all_have(PyObject *s, unsigned flags)
{
    Py_ssize_t n = LENGTH(s);
    if (n == 0) Py_RETURN_FALSE;
    WITH_KIND(KIND(s), {
        const CHAR *p = DATA(s);
        for (Py_ssize_t i = 0; i < n; i++) if (!(char_flags(p[i]) & flags)) Py_RETURN_FALSE;
    });
    Py_RETURN_TRUE;
}

BUILTIN_NOARGS(str, isalpha, "($self, /)", "Whether all characters are letters and there is one.") { return all_have(self, CHAR_ALPHA); }

BUILTIN_NOARGS(str, isalnum, "($self, /)", "Whether all characters are letters, digits or numbers and there is one.")
{
    return all_have(self, CHAR_ALPHA | CHAR_DECIMAL | CHAR_DIGIT | CHAR_NUMERIC);
}

BUILTIN_NOARGS(str, isdecimal, "($self, /)", "Whether all characters are decimal digits and there is one.") { return all_have(self, CHAR_DECIMAL); }
BUILTIN_NOARGS(str, isdigit, "($self, /)", "Whether all characters are digits and there is one.") { return all_have(self, CHAR_DIGIT); }
BUILTIN_NOARGS(str, isnumeric, "($self, /)", "Whether all characters are numeric and there is one.") { return all_have(self, CHAR_NUMERIC); }
BUILTIN_NOARGS(str, isspace, "($self, /)", "Whether all characters are white space and there is one.") { return all_have(self, CHAR_SPACE); }

BUILTIN_NOARGS(str, isprintable, "($self, /)", "Whether repr() would show all characters as they are.")
{
    return LENGTH(self) == 0 ? Py_NewRef(Py_True) : all_have(self, CHAR_PRINTABLE);
}

BUILTIN_NOARGS(str, isascii, "($self, /)", "Whether all characters are ASCII.") { return PyBool_FromLong(PyUnicode_IS_ASCII(self)); }

static PyObject *is_one_case(PyObject *s, unsigned wanted, unsigned unwanted)
{
    bool cased = false;
    int kind = KIND(s);
    for (Py_ssize_t i = 0, n = LENGTH(s); i < n; i++) {
        unsigned flags = char_flags(PyUnicode_READ(kind, DATA(s), i));
        if (flags & unwanted) Py_RETURN_FALSE;
        if (flags & wanted) cased = true;
    }
    return PyBool_FromLong(cased);
}

BUILTIN_NOARGS(str, islower, "($self, /)", "Whether there are cased characters and all are lower case.")
{
    return is_one_case(self, CHAR_LOWER, CHAR_UPPER | CHAR_TITLE);
}

BUILTIN_NOARGS(str, isupper, "($self, /)", "Whether there are cased characters and all are upper case.")
{
    return is_one_case(self, CHAR_UPPER, CHAR_LOWER | CHAR_TITLE);
}

BUILTIN_NOARGS(str, istitle, "($self, /)", "Whether upper case follows only uncased characters and lower case only cased ones.")
{
    bool cased = false, previous = false;
    int kind = KIND(self);
    for (Py_ssize_t i = 0, n = LENGTH(self); i < n; i++) {
        unsigned flags = char_flags(PyUnicode_READ(kind, DATA(self), i));
        if (flags & (CHAR_UPPER | CHAR_TITLE)) {
            if (previous) Py_RETURN_FALSE;
            previous = cased = true;
        }
        else if (flags & CHAR_LOWER) {
            if (!previous) Py_RETURN_FALSE;
            cased = true;
        }
        else previous = false;
    }
    return PyBool_FromLong(cased);
}

PyAPI_FUNC(Py_ssize_t) _PyUnicode_ScanIdentifier(PyObject *s);

/* Length of the identifier that s begins with. */
Py_ssize_t _PyUnicode_ScanIdentifier(PyObject *s)
{
    Py_ssize_t n = LENGTH(s), i = 1;
    int kind = KIND(s);
    if (n == 0) return 0;
    Py_UCS4 c = PyUnicode_READ(kind, DATA(s), 0);
    if (c != '_' && !(char_flags(c) & CHAR_XID_START)) return 0;
    while (i < n && char_flags(PyUnicode_READ(kind, DATA(s), i)) & CHAR_XID_CONTINUE) i++;
    return i;
}

int PyUnicode_IsIdentifier(PyObject *s) { return LENGTH(s) != 0 && _PyUnicode_ScanIdentifier(s) == LENGTH(s); }

BUILTIN_NOARGS(str, isidentifier, "($self, /)", "Whether the text is a valid identifier; keyword.iskeyword() tells whether it is reserved.")
{
    return PyBool_FromLong(PyUnicode_IsIdentifier(self));
}

/* ---- the rest ------------------------------------------------------------------------------------------------------- */

BUILTIN(str, encode, KEYWORDS, "($self, /, encoding='utf-8', errors='strict')",
        "The text as bytes.\n\n  encoding\n    Name of the codec.\n"
        "  errors\n    'strict', 'ignore', 'replace', 'xmlcharrefreplace' or another name known to codecs.register_error.")
{
    const char *encoding = NULL, *errors = NULL;
    if (arg[0] && !(encoding = text_codec_arg("encode", "argument 'encoding'", arg[0]))) return NULL;
    if (arg[1] && !(errors = text_codec_arg("encode", "argument 'errors'", arg[1]))) return NULL;
    return PyUnicode_AsEncodedString(self, encoding, errors);
}

BUILTIN_O(str, __format__, "($self, format_spec, /)", "The text as format_spec says.")
{
    if (!PyUnicode_Check(arg)) {
        text_wrong_type("__format__", "argument", "str", arg);
        return NULL;
    }
    return format_str(self, arg);
}

BUILTIN_O(str, format_map, "($self, mapping, /)", "The text with {names} replaced by what mapping holds.") { return format_fields(self, NULL, arg); }

static PyObject *str_format(PyObject *self, PyObject *args, PyObject *kwargs) { return format_fields(self, args, kwargs); }

BUILTIN_NOARGS(str, __sizeof__, "($self, /)", "Bytes of memory that the text takes.")
{
    Py_ssize_t size = (LENGTH(self) + 1) * KIND(self);
    if (PyUnicode_IS_COMPACT_ASCII(self)) return PyLong_FromSsize_t(size + (Py_ssize_t)sizeof(PyASCIIObject));
    size += PyUnicode_IS_COMPACT(self) ? sizeof(PyCompactUnicodeObject) : sizeof(PyUnicodeObject);
    if (COMPACT_HEAD(self)->utf8 && COMPACT_HEAD(self)->utf8 != DATA(self)) size += COMPACT_HEAD(self)->utf8_length + 1;
    return PyLong_FromSsize_t(size);
}

BUILTIN_NOARGS(str, __getnewargs__, "($self, /)", "For pickling: the arguments of __new__.")
{
    PyObject *copy = str_copy_exact(self);
    return copy ? Py_BuildValue("(N)", copy) : NULL;
}

PyMethodDef str_methods[] = {
    METHOD(str, encode), METHOD(str, replace), METHOD(str, split), METHOD(str, rsplit), METHOD(str, join), METHOD(str, capitalize),
    METHOD(str, casefold), METHOD(str, title), METHOD(str, center), METHOD(str, count), METHOD(str, expandtabs), METHOD(str, find),
    METHOD(str, partition), METHOD(str, index), METHOD(str, ljust), METHOD(str, lower), METHOD(str, lstrip), METHOD(str, rfind),
    METHOD(str, rindex), METHOD(str, rjust), METHOD(str, rstrip), METHOD(str, rpartition), METHOD(str, splitlines), METHOD(str, strip),
    METHOD(str, swapcase), METHOD(str, translate), METHOD(str, upper), METHOD(str, startswith), METHOD(str, endswith),
    METHOD(str, removeprefix), METHOD(str, removesuffix), METHOD(str, isascii), METHOD(str, islower), METHOD(str, isupper),
    METHOD(str, istitle), METHOD(str, isspace), METHOD(str, isdecimal), METHOD(str, isdigit), METHOD(str, isnumeric),
    METHOD(str, isalpha), METHOD(str, isalnum), METHOD(str, isidentifier), METHOD(str, isprintable), METHOD(str, zfill),
    { "format", (PyCFunction)(void (*)(void))str_format, METH_VARARGS | METH_KEYWORDS,
      "format($self, /, *args, **kwargs)\n--\n\nThe text with {fields} replaced by arguments: {0}, {name}, {0.attribute!r:>10}." },
    METHOD(str, format_map), METHOD(str, __format__), METHOD_STATIC(str, maketrans), METHOD(str, __sizeof__),
    METHOD_UNDOCUMENTED(str, __getnewargs__), { 0 },
};
