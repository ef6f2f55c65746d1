/* str.translate, str.maketrans and PyUnicode_Translate. */
#include "objects/str_private.h"
#include "objects/text.h"
#include "objects/unicode_private.h"

const char str_translate_doc[] =
    "translate($self, table, /)\n--\n\n"
    "A copy with each character replaced by what table, indexed by its number, says:\n"
    "a number, a string, or None to leave it out. Without an entry (LookupError) it stays.";
const char str_maketrans_doc[] =
    "maketrans(x, y=<unrepresentable>, z=<unrepresentable>, /)\n--\n\n"
    "A table for translate(): from a dict of characters or their numbers; from two strings\n"
    "of equal length, position by position; with a third, its characters are left out.";

/* What table says of c, owned in *answer: NULL there for no entry. 0, or -1 with an exception. */
static int look_up(PyObject *table, Py_UCS4 c, PyObject **answer)
{
    PyObject *key = PyLong_FromUnsignedLong(c);
    if (!key) return -1;
    PyObject *x = PyObject_GetItem(table, key);
    Py_DECREF(key);
    *answer = x;
    if (!x) {
        if (!PyErr_ExceptionMatches(PyExc_LookupError)) return -1;
        PyErr_Clear();
        return 0;
    }
    if (x == Py_None || PyUnicode_Check(x)) return 0;
    if (PyLong_Check(x)) {
        int overflow;
        long value = PyLong_AsLongAndOverflow(x, &overflow);
        if (!overflow && value >= 0 && value <= UNICODE_MAX) return 0;
        PyErr_Format(PyExc_ValueError, "character mapping must be in range(0x%x)", UNICODE_MAX + 1);
    }
    else PyErr_SetString(PyExc_TypeError, "character mapping must return integer, None or str");
    Py_CLEAR(*answer);
    return -1;
}

static int write_answer(_PyUnicodeWriter *w, Py_UCS4 c, PyObject *answer)
{
    if (!answer) return _PyUnicodeWriter_WriteChar(w, c);
    if (PyLong_Check(answer)) return _PyUnicodeWriter_WriteChar(w, (Py_UCS4)PyLong_AsLong(answer));
    return _PyUnicodeWriter_WriteStr(w, answer);
}

/* Characters [start, end) map to None, and errors is not "ignore". Returns where to go on, or -1. */
static Py_ssize_t translate_error(_PyUnicodeWriter *w, PyObject *s, const char *errors, Py_ssize_t start, Py_ssize_t end)
{
    PyObject *handler = PyCodec_LookupError(errors), *exception = NULL, *answer = NULL, *text;
    Py_ssize_t at, resume = -1;
    if (!handler) return -1;
    exception = PyObject_CallFunction(PyExc_UnicodeTranslateError, "Onns", s, start, end, "character maps to <undefined>");
    if (!exception || !(answer = PyObject_CallOneArg(handler, exception))) goto done;
    if (!PyTuple_Check(answer)) {
        PyErr_SetString(PyExc_TypeError, "translating error handler must return (str, int) tuple");
        goto done;
    }
    if (!PyArg_ParseTuple(answer, "Un;translating error handler must return (str, int) tuple", &text, &at)) goto done;
    if (at < 0) at += LENGTH(s);
    if (at < 0 || at > LENGTH(s)) {
        PyErr_Format(PyExc_IndexError, "position %zd from error handler out of bounds", at);
        goto done;
    }
    if (_PyUnicodeWriter_WriteStr(w, text) == 0) resume = at;
done:
    Py_XDECREF(answer);
    Py_XDECREF(exception);
    Py_DECREF(handler);
    return resume;
}

enum { UNKNOWN = -1, DELETED = -2, OTHER = -3 };

/* Translates the ASCII characters that s begins with and whose translation is one ASCII character or nothing, asking table once
 * for each. Returns how many were read and in *written how many came out; stops before the first that is not so. */
static Py_ssize_t translate_ascii(PyObject *s, PyObject *table, bool ignore, Py_UCS1 *out, Py_ssize_t *written)
{
    int16_t known[128];
    for (int i = 0; i < 128; i++) known[i] = UNKNOWN;
    const Py_UCS1 *p = DATA(s);
    Py_ssize_t i = 0, n = LENGTH(s), at = 0;
    for (; i < n; i++) {
        Py_UCS1 c = p[i];
        if (UNLIKELY(known[c] == UNKNOWN)) {
            PyObject *answer;
            if (look_up(table, c, &answer) < 0) return -1;
            long value = OTHER;
            if (!answer) value = c;
            else if (answer == Py_None) value = ignore ? DELETED : OTHER;
            else if (PyLong_Check(answer)) value = PyLong_AsLong(answer);
            else if (LENGTH(answer) == 0) value = DELETED;
            else if (LENGTH(answer) == 1) value = (long)PyUnicode_READ_CHAR(answer, 0);
            known[c] = (int16_t)(value > 127 ? OTHER : value);
            Py_XDECREF(answer);
        }
        if (known[c] == DELETED) continue;
        if (known[c] == OTHER) break;
        out[at++] = (Py_UCS1)known[c];
    }
    *written = at;
    return i;
}

PyObject *PyUnicode_Translate(PyObject *s, PyObject *table, const char *errors)
{
    if (str_require(s) < 0) return NULL;
    if (!table) {
        PyErr_BadArgument();
        return NULL;
    }
    bool ignore = errors && strcmp(errors, "ignore") == 0;
    Py_ssize_t n = LENGTH(s), i = 0;
    if (n == 0) return str_exact(s);
    _PyUnicodeWriter w;
    _PyUnicodeWriter_Init(&w);
    if (_PyUnicodeWriter_Prepare(&w, n, 127) < 0) return NULL;
    if (PyUnicode_IS_ASCII(s)) {
        Py_ssize_t written;
        if ((i = translate_ascii(s, table, ignore, w.data, &written)) < 0) goto failed;
        w.pos = written;
    }
    w.overallocate = 1;
    int kind = KIND(s);
    while (i < n) {
        PyObject *answer;
        Py_UCS4 c = PyUnicode_READ(kind, DATA(s), i);
        if (look_up(table, c, &answer) < 0) goto failed;
        if (answer != Py_None) {
            int status = write_answer(&w, c, answer);
            Py_XDECREF(answer);
            if (status < 0) goto failed;
            i++;
            continue;
        }
        Py_ssize_t start = i++;
        Py_DECREF(answer);
        if (ignore) continue;
        for (; i < n; i++) {                               /* all that map to None in a row are one error */
            if (look_up(table, PyUnicode_READ(kind, DATA(s), i), &answer) < 0) goto failed;
            Py_XDECREF(answer);
            if (answer != Py_None) break;
        }
        if ((i = translate_error(&w, s, errors, start, i)) < 0) goto failed;
    }
    return _PyUnicodeWriter_Finish(&w);
failed:
    _PyUnicodeWriter_Dealloc(&w);
    return NULL;
}

PyObject *str_translate(PyObject *self, PyObject *table) { return PyUnicode_Translate(self, table, "ignore"); }

/* ---- maketrans ------------------------------------------------------------------------------------------------------- */

static int set_number(PyObject *dict, Py_UCS4 key, PyObject *value)
{
    PyObject *number = PyLong_FromUnsignedLong(key);
    if (!number) return -1;
    int status = PyDict_SetItem(dict, number, value);
    Py_DECREF(number);
    return status;
}

static int table_from_strings(PyObject *dict, PyObject *x, PyObject *y, PyObject *z)
{
    if (LENGTH(x) != LENGTH(y)) {
        PyErr_SetString(PyExc_ValueError, "the first two maketrans arguments must have equal length");
        return -1;
    }
    for (Py_ssize_t i = 0; i < LENGTH(x); i++) {
        PyObject *value = PyLong_FromUnsignedLong(PyUnicode_READ_CHAR(y, i));
        int status = value ? set_number(dict, PyUnicode_READ_CHAR(x, i), value) : -1;
        Py_XDECREF(value);
        if (status < 0) return -1;
    }
    for (Py_ssize_t i = 0; z && i < LENGTH(z); i++) if (set_number(dict, PyUnicode_READ_CHAR(z, i), Py_None) < 0) return -1;
    return 0;
}

static int table_from_dict(PyObject *dict, PyObject *x)
{
    PyObject *key, *value;
    if (!PyDict_CheckExact(x)) {
        PyErr_SetString(PyExc_TypeError, "if you give only one argument to maketrans it must be a dict");
        return -1;
    }
    for (Py_ssize_t i = 0; PyDict_Next(x, &i, &key, &value);) {
        int status;
        if (PyUnicode_Check(key)) {
            if (LENGTH(key) != 1) {
                PyErr_SetString(PyExc_ValueError, "string keys in translate table must be of length 1");
                return -1;
            }
            status = set_number(dict, PyUnicode_READ_CHAR(key, 0), value);
        }
        else if (PyLong_Check(key)) status = PyDict_SetItem(dict, key, value);
        else {
            PyErr_SetString(PyExc_TypeError, "keys in translate table must be strings or integers");
            return -1;
        }
        if (status < 0) return -1;
    }
    return 0;
}

PyObject *str_maketrans(PyObject *Py_UNUSED(ignored), PyObject *const *args, Py_ssize_t nargs)
{
    if (nargs < 1 || nargs > 3) {
        PyErr_Format(PyExc_TypeError, "maketrans expected at %s argument%s, got %zd", nargs < 1 ? "least 1" : "most 3", nargs < 1 ? "" : "s", nargs);
        return NULL;
    }
    for (Py_ssize_t i = 1; i < nargs; i++) {
        if (PyUnicode_Check(args[i])) continue;
        text_wrong_type("maketrans", i == 1 ? "argument 2" : "argument 3", "str", args[i]);
        return NULL;
    }
    if (nargs > 1 && !PyUnicode_Check(args[0])) {
        PyErr_SetString(PyExc_TypeError, "first maketrans argument must be a string if there is a second argument");
        return NULL;
    }
    PyObject *dict = PyDict_New();
    if (!dict) return NULL;
    if ((nargs == 1 ? table_from_dict(dict, args[0]) : table_from_strings(dict, args[0], args[1], nargs > 2 ? args[2] : NULL)) < 0) {
        Py_DECREF(dict);
        return NULL;
    }
    return dict;
}
