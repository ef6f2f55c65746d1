/* PyArg_ParseTupleAndKeywords: positional and keyword arguments to C variables by a format and a list of names.
 *
 * Names that are empty belong to positional-only parameters and come first. In the format, '|' begins the optional
 * parameters and '$' the keyword-only ones. Units whose argument was not given are skipped, addresses included. */
#include "capi/args.h"
#include "capi/getargs_private.h"

#include <limits.h>
#include <string.h>

/* ---- skipping a unit ------------------------------------------------------------------------------------------------------------------------ */

static const char *skip_unit(ArgParse *parse, const char **format)
{
    const char *p = *format;
    char code = *p++;
    switch (code) {
    case 'b': case 'B': case 'h': case 'H': case 'i': case 'I': case 'l': case 'k': case 'L': case 'K': case 'f': case 'd':
    case 'D': case 'c': case 'p': case 'S': case 'Y': case 'U': case 'C': case 'n':
        (void)va_arg(*parse->targets, void *);
        break;
    case 'e':
        (void)va_arg(*parse->targets, const char *);
        if (*p != 's' && *p != 't') return "impossible<bad format char>";
        p++;
        FALLTHROUGH;
    case 's': case 'z': case 'y': case 'w':
        (void)va_arg(*parse->targets, void *);
        if (code == 'w' && *p != '*') return "impossible<bad format char>";
        if (*p == '#') {
            (void)va_arg(*parse->targets, Py_ssize_t *);
            p++;
        }
        else if (*p == '*' && (code == 's' || code == 'z' || code == 'y' || code == 'w')) p++;
        break;
    case 'O':
        (void)va_arg(*parse->targets, void *);
        if (*p == '!' || *p == '&') {
            (void)va_arg(*parse->targets, void *);
            p++;
        }
        break;
    case '(':
        while (*p != ')') {
            if (args_format_end(*p)) return "Unmatched left paren in format string";
            const char *wrong = skip_unit(parse, &p);
            if (wrong) return wrong;
        }
        p++;
        break;
    case ')':
        return "Unmatched right paren in format string";
    default:
        return "impossible<bad format char>";
    }
    *format = p;
    return NULL;
}

/* ---- parsing ------------------------------------------------------------------------------------------------------------------------------------ */

typedef struct Call {
    PyObject *const *args;                    /* positional */
    Py_ssize_t nargs;
    PyObject *kwargs;                         /* dict or NULL */
    PyObject *kwnames;                        /* or a tuple whose values follow args, or NULL */
    Py_ssize_t nkwargs;
} Call;

/* 1 and a new reference in *value, 0 when it is not there, -1. */
static int find_keyword(const Call *call, const char *name, PyObject **value)
{
    if (call->kwargs) return PyDict_GetItemStringRef(call->kwargs, name, value);
    *value = NULL;
    for (Py_ssize_t i = 0; i < call->nkwargs; i++) {
        if (PyUnicode_Check(PyTuple_GET_ITEM(call->kwnames, i)) && PyUnicode_EqualToUTF8(PyTuple_GET_ITEM(call->kwnames, i), name)) {
            *value = Py_NewRef(call->args[call->nargs + i]);
            return 1;
        }
    }
    return 0;
}

/* The next keyword of the call, borrowed, or NULL after the last. */
static PyObject *next_keyword(const Call *call, Py_ssize_t *at)
{
    PyObject *key, *value;
    if (call->kwargs) return PyDict_Next(call->kwargs, at, &key, &value) ? key : NULL;
    return *at < call->nkwargs ? PyTuple_GET_ITEM(call->kwnames, (*at)++) : NULL;
}

static COLD int count_error(const char *function, const char *bound, int limit, const char *kind, Py_ssize_t given)
{
    PyErr_Format(PyExc_TypeError, "%.200s%s takes %s %d %sargument%s (%zd given)", function ? function : "function",
                 function ? "()" : "", bound, limit, kind, limit == 1 ? "" : "s", given);
    return 0;
}

static COLD int no_positional(const char *function)
{
    PyErr_Format(PyExc_TypeError, "%.200s%s takes no positional arguments", function ? function : "function", function ? "()" : "");
    return 0;
}

/* After all parameters were bound some keywords are left: says which one is wrong. Returns 0. */
static COLD int explain_leftover(const Call *call, const char *const *names, int positional_only, const char *function)
{
    int total = positional_only;
    while (names[total]) total++;
    for (int i = positional_only; i < call->nargs && i < total; i++) {
        PyObject *value;
        int found = find_keyword(call, names[i], &value);
        if (found < 0) return 0;
        if (found) {
            Py_DECREF(value);
            PyErr_Format(PyExc_TypeError, "argument for %.200s%s given by name ('%s') and position (%d)",
                         function ? function : "function", function ? "()" : "", names[i], i + 1);
            return 0;
        }
    }
    PyObject *key;
    for (Py_ssize_t at = 0; (key = next_keyword(call, &at));) {
        if (!PyUnicode_Check(key)) {
            PyErr_SetString(PyExc_TypeError, "keywords must be strings");
            return 0;
        }
        bool known = false;
        for (int i = positional_only; i < total && !known; i++) known = PyUnicode_EqualToUTF8(key, names[i]);
        if (known) continue;
        PyObject *list = PyList_New(0);
        for (int i = positional_only; list && i < total; i++) {
            PyObject *name = PyUnicode_FromString(names[i]);
            if (!name || PyList_Append(list, name) < 0) Py_CLEAR(list);
            Py_XDECREF(name);
        }
        if (list) args_set_unexpected(function, list, key);
        Py_XDECREF(list);
        return 0;
    }
    /* equal by content, but found by nobody: a str subclass with an __eq__ or __hash__ of its own */
    PyErr_Format(PyExc_TypeError, "invalid keyword argument for %.200s%s", function ? function : "this function", function ? "()" : "");
    return 0;
}

static int parse_keywords(const Call *call, const char *format, const char *const *names, va_list *targets)
{
    int positional_only = 0, total, min = INT_MAX, max = INT_MAX, i;
    while (names[positional_only] && !*names[positional_only]) positional_only++;
    for (total = positional_only; names[total]; total++) {
        if (!*names[total]) {
            PyErr_SetString(PyExc_SystemError, "Empty keyword parameter name");
            return 0;
        }
    }
    const char *function = strchr(format, ':'), *message = NULL;
    if (function) function++;
    else if ((message = strchr(format, ';'))) message++;

    Py_ssize_t nargs = call->nargs, left = call->nkwargs;
    if (nargs + left > total) return count_error(function, "at most", total, nargs == 0 ? "keyword " : "", nargs + left);

    ArgParse parse;
    args_parse_begin(&parse, targets);
    bool skip = false;                        /* a positional-only argument is missing: find out how many there should be */
    for (i = 0; i < total; i++) {
        if (*format == '|') {
            if (min != INT_MAX) {
                PyErr_SetString(PyExc_SystemError, "Invalid format string (| specified twice)");
                return args_parse_end(&parse, 0);
            }
            min = i;
            format++;
            if (max != INT_MAX) {
                PyErr_SetString(PyExc_SystemError, "Invalid format string ($ before |)");
                return args_parse_end(&parse, 0);
            }
        }
        if (*format == '$') {
            if (max != INT_MAX) {
                PyErr_SetString(PyExc_SystemError, "Invalid format string ($ specified twice)");
                return args_parse_end(&parse, 0);
            }
            max = i;
            format++;
            if (max < positional_only) {
                PyErr_SetString(PyExc_SystemError, "Empty parameter name after $");
                return args_parse_end(&parse, 0);
            }
            if (skip) break;
            if (max < nargs) {
                if (max == 0) no_positional(function);
                else count_error(function, min != INT_MAX ? "at most" : "exactly", max, "positional ", nargs);
                return args_parse_end(&parse, 0);
            }
        }
        if (args_format_end(*format)) {
            PyErr_Format(PyExc_SystemError, "More keyword list entries (%d) than format specifiers (%d)", total, i);
            return args_parse_end(&parse, 0);
        }
        if (!skip) {
            PyObject *arg = NULL;
            if (i < nargs) arg = Py_NewRef(call->args[i]);
            else if (left && i >= positional_only) {
                int found = find_keyword(call, names[i], &arg);
                if (found < 0) return args_parse_end(&parse, 0);
                left -= found;
            }
            if (arg) {
                const char *wrong = args_convert_item(&parse, arg, &format, parse.levels);
                Py_DECREF(arg);               /* the caller's tuple or dict holds it */
                if (wrong) {
                    args_set_error(parse.levels, i + 1, wrong, function, message);
                    return args_parse_end(&parse, 0);
                }
                continue;
            }
            if (i < min) {
                if (i < positional_only) skip = true;
                else {
                    PyErr_Format(PyExc_TypeError, "%.200s%s missing required argument '%s' (pos %i)", function ? function : "function",
                                 function ? "()" : "", names[i], i + 1);
                    return args_parse_end(&parse, 0);
                }
            }
            if (!left && !skip) return args_parse_end(&parse, 1);
        }
        const char *wrong = skip_unit(&parse, &format);
        if (wrong) {
            PyErr_Format(PyExc_SystemError, "%s: '%s'", wrong, format);
            return args_parse_end(&parse, 0);
        }
    }
    if (skip) {
        int limit = positional_only < min ? positional_only : min;
        count_error(function, limit < i ? "at least" : "exactly", limit, "positional ", nargs);
        return args_parse_end(&parse, 0);
    }
    if (!args_format_end(*format) && *format != '|' && *format != '$') {
        PyErr_Format(PyExc_SystemError, "more argument specifiers than keyword list entries (remaining format:'%s')", format);
        return args_parse_end(&parse, 0);
    }
    if (left > 0 && !explain_leftover(call, names, positional_only, function)) return args_parse_end(&parse, 0);
    return args_parse_end(&parse, 1);
}

static int parse_tuple_and_dict(PyObject *args, PyObject *kwargs, const char *format, const char *const *names, va_list *targets)
{
    if (!args || !PyTuple_Check(args) || (kwargs && !PyDict_Check(kwargs)) || !format || !names) {
        PyErr_BadInternalCall();
        return 0;
    }
    Call call = { ((PyTupleObject *)args)->ob_item, PyTuple_GET_SIZE(args), kwargs, NULL, kwargs ? PyDict_GET_SIZE(kwargs) : 0 };
    return parse_keywords(&call, format, names, targets);
}

int PyArg_ParseTupleAndKeywords(PyObject *args, PyObject *kwargs, const char *format, PY_CXX_CONST char *const *names, ...)
{
    va_list targets;
    va_start(targets, names);
    int status = parse_tuple_and_dict(args, kwargs, format, (const char *const *)names, &targets);
    va_end(targets);
    return status;
}

int PyArg_VaParseTupleAndKeywords(PyObject *args, PyObject *kwargs, const char *format, PY_CXX_CONST char *const *names, va_list targets)
{
    va_list copy;
    va_copy(copy, targets);
    int status = parse_tuple_and_dict(args, kwargs, format, (const char *const *)names, &copy);
    va_end(copy);
    return status;
}

PyAPI_FUNC(int) _PyArg_ParseTupleAndKeywords_SizeT(PyObject *, PyObject *, const char *, char **, ...);
PyAPI_FUNC(int) _PyArg_VaParseTupleAndKeywords_SizeT(PyObject *, PyObject *, const char *, char **, va_list);

int _PyArg_ParseTupleAndKeywords_SizeT(PyObject *args, PyObject *kwargs, const char *format, char **names, ...)
{
    va_list targets;
    va_start(targets, names);
    int status = parse_tuple_and_dict(args, kwargs, format, (const char *const *)names, &targets);
    va_end(targets);
    return status;
}

int _PyArg_VaParseTupleAndKeywords_SizeT(PyObject *args, PyObject *kwargs, const char *format, char **names, va_list targets)
{
    return PyArg_VaParseTupleAndKeywords(args, kwargs, format, names, targets);
}

int PyArg_ValidateKeywordArguments(PyObject *kwargs)
{
    if (!PyDict_Check(kwargs)) {
        PyErr_BadInternalCall();
        return 0;
    }
    PyObject *key, *value;
    for (Py_ssize_t at = 0; PyDict_Next(kwargs, &at, &key, &value);) {
        if (!PyUnicode_Check(key)) {
            PyErr_SetString(PyExc_TypeError, "keywords must be strings");
            return 0;
        }
    }
    return 1;
}

/* ---- with a prepared parser ------------------------------------------------------------------------------------------------------------------ */

int _PyArg_ParseTupleAndKeywordsFast(PyObject *args, PyObject *kwargs, struct _PyArg_Parser *parser, ...)
{
    va_list targets;
    va_start(targets, parser);
    int status = parse_tuple_and_dict(args, kwargs, parser ? parser->format : NULL, parser ? parser->keywords : NULL, &targets);
    va_end(targets);
    return status;
}

PyAPI_FUNC(int) _PyArg_ParseStackAndKeywords(PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames, struct _PyArg_Parser *parser, ...);
int _PyArg_ParseStackAndKeywords(PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames, struct _PyArg_Parser *parser, ...)
{
    va_list targets;
    va_start(targets, parser);
    Call call = { args, nargs, NULL, kwnames, kwnames ? PyTuple_GET_SIZE(kwnames) : 0 };
    int status = parse_keywords(&call, parser->format, parser->keywords, &targets);
    va_end(targets);
    return status;
}

/* Binds args to the parser's names: buf[i] borrowed, NULL where nothing was given. Returns args or buf, NULL with TypeError. */
PyAPI_FUNC(PyObject *const *) _PyArg_UnpackKeywords(PyObject *const *args, Py_ssize_t nargs, PyObject *kwargs, PyObject *kwnames,
                                                    struct _PyArg_Parser *parser, int minpos, int maxpos, int minkw, PyObject **buf);
PyObject *const *_PyArg_UnpackKeywords(PyObject *const *args, Py_ssize_t nargs, PyObject *kwargs, PyObject *kwnames,
                                       struct _PyArg_Parser *parser, int minpos, int maxpos, int minkw, PyObject **buf)
{
    const char *const *names = parser->keywords;
    const char *function = parser->fname;
    int positional_only = 0, total;
    while (names[positional_only] && !*names[positional_only]) positional_only++;
    for (total = positional_only; names[total]; total++) {}
    Call call = { args, nargs, kwargs, kwnames, kwargs ? PyDict_GET_SIZE(kwargs) : kwnames ? PyTuple_GET_SIZE(kwnames) : 0 };
    if (call.nkwargs == 0 && !minkw && nargs >= minpos && nargs <= maxpos && nargs == total) return args;
    if (nargs + call.nkwargs > total) {
        count_error(function, "at most", total, nargs == 0 ? "keyword " : "", nargs + call.nkwargs);
        return NULL;
    }
    if (nargs > maxpos) {
        if (maxpos == 0) no_positional(function);
        else count_error(function, minpos < maxpos ? "at most" : "exactly", maxpos, "positional ", nargs);
        return NULL;
    }
    if (nargs < positional_only && nargs < minpos) {
        int limit = positional_only < minpos ? positional_only : minpos;
        count_error(function, minpos < maxpos ? "at least" : "exactly", limit, "positional ", nargs);
        return NULL;
    }
    Py_ssize_t left = call.nkwargs;
    for (int i = 0; i < total; i++) {
        buf[i] = NULL;
        if (i < nargs) {
            buf[i] = args[i];
            continue;
        }
        if (left && i >= positional_only) {
            int found = find_keyword(&call, names[i], &buf[i]);
            if (found < 0) return NULL;
            Py_XDECREF(buf[i]);               /* borrowed from the call */
            left -= found;
        }
        if (!buf[i] && (i < minpos || (i >= maxpos && i < maxpos + minkw))) {
            PyErr_Format(PyExc_TypeError, "%.200s%s missing required argument '%s' (pos %i)", function ? function : "function",
                         function ? "()" : "", names[i], i + 1);
            return NULL;
        }
    }
    if (left > 0 && !explain_leftover(&call, names, positional_only, function)) return NULL;
    return buf;
}
