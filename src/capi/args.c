/* Binding the arguments of built-in functions by the signature in their documentation string (see args.h).
 *
 * Invariant: a Signature is digested once, from constant text, and only read afterwards. The messages are CPython's two
 * wordings: that of positional-only functions and that of functions that take keywords. */
#include "capi/args.h"

#include <string.h>

static bool is_name_char(char c) { return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

/* Past a default value: up to the ',' or ')' that is not inside brackets or quotes. */
static const char *skip_default(const char *p)
{
    int depth = 0;
    for (char quote = 0; *p; p++) {
        if (quote) {
            if (*p == '\\' && p[1]) p++;
            else if (*p == quote) quote = 0;
        }
        else if (*p == '\'' || *p == '"') quote = *p;
        else if (*p == '(' || *p == '[' || *p == '{') depth++;
        else if (depth && (*p == ')' || *p == ']' || *p == '}')) depth--;
        else if (!depth && (*p == ',' || *p == ')')) break;
    }
    return p;
}

COLD NOINLINE void args_digest(Signature *shared)
{
    Signature s = *shared;
    bool keyword_only = false;
    s.positional_only = s.positional = s.total = s.required_positional = 0;
    s.required = 0;
    const char *p = s.text + 1;
    while (*p && *p != ')') {
        while (*p == ' ' || *p == ',' || *p == '\n') p++;
        if (*p == ')' || !*p) break;
        if (*p == '$') {                                   /* $self, $module, $type */
            p = skip_default(p);
            continue;
        }
        if (*p == '/') { s.positional_only = s.total; p++; continue; }
        if (*p == '*' && !is_name_char(p[1])) { keyword_only = true; p++; continue; }
        const char *name = p;
        while (is_name_char(*p)) p++;
        assert(p > name && s.total < ARGS_MAX && name - s.text < 65536);
        bool has_default = *p == '=';
        p = skip_default(p);
        const char *end = name;
        while (is_name_char(*end)) end++;
        s.offset[s.total] = (uint16_t)(name - s.text);
        s.length[s.total] = (uint8_t)(end - name);
        if (!has_default) {
            s.required |= 1u << s.total;
            if (!keyword_only) s.required_positional = (uint8_t)(s.total + 1);
        }
        s.total++;
        if (!keyword_only) s.positional = s.total;
    }
    if (s.family < FAMILY_KEYWORDS) s.positional_only = s.positional;
    /* Threads that digest at the same time write the same bytes. */
    shared->positional_only = s.positional_only;
    shared->positional = s.positional;
    shared->total = s.total;
    shared->required_positional = s.required_positional;
    memcpy(shared->offset, s.offset, sizeof s.offset);
    memcpy(shared->length, s.length, sizeof s.length);
    shared->required = s.required;
    __atomic_store_n(&shared->digested, 1, __ATOMIC_RELEASE);
}

static const char *plural(Py_ssize_t n) { return n == 1 ? "" : "s"; }

static bool is_unnamed(const Signature *s) { return s->family == FAMILY_UNNAMED || s->family == FAMILY_UNNAMED_PARSED; }
static const char *shown_name(const Signature *s) { return is_unnamed(s) ? "function" : s->name; }
static const char *brackets(const Signature *s) { return is_unnamed(s) ? "" : "()"; }

/* "pop expected at most 1 argument, got 2", "kill() takes exactly 2 arguments (1 given)" */
COLD NOINLINE static int wrong_count_positional(const Signature *s, Py_ssize_t given)
{
    Py_ssize_t min = s->required_positional, max = s->positional;
    Py_ssize_t limit = given < min ? min : max;
    if (s->family != FAMILY_POSITIONAL) {
        if (max == 0) PyErr_Format(PyExc_TypeError, "%.200s%s takes no arguments", shown_name(s), brackets(s));
        else PyErr_Format(PyExc_TypeError, "%.150s%s takes %s %zd argument%s (%zd given)", shown_name(s), brackets(s),
                          min == max ? "exactly" : given < min ? "at least" : "at most", limit, plural(limit), given);
        return -1;
    }
    PyErr_Format(PyExc_TypeError, "%.200s expected %s%zd argument%s, got %zd", s->name,
                 min == max ? "" : given < min ? "at least " : "at most ", limit, plural(limit), given);
    return -1;
}

COLD NOINLINE static int too_many(const Signature *s, Py_ssize_t nargs, Py_ssize_t nkeywords)
{
    if (nargs + nkeywords > s->total) {
        /* "keyword" where nothing was given by position: otherwise the count would read as one of positions */
        PyErr_Format(PyExc_TypeError, "%.200s%s takes at most %d %sargument%s (%zd given)", shown_name(s), brackets(s), s->total,
                     nargs == 0 ? "keyword " : "",
                     plural(s->total), nargs + nkeywords);
    }
    else if (s->positional == 0) {
        PyErr_Format(PyExc_TypeError, "%.200s%s takes no positional arguments", shown_name(s), brackets(s));
    }
    else {
        PyErr_Format(PyExc_TypeError, "%.200s%s takes %s %d positional argument%s (%zd given)", shown_name(s), brackets(s),
                     s->required_positional < s->positional ? "at most" : "exactly", s->positional, plural(s->positional), nargs);
    }
    return -1;
}

/* The parameter that keyword names, or -1. */
static int find_parameter(const Signature *s, PyObject *keyword, int from)
{
    Py_ssize_t length;
    const char *text = PyUnicode_AsUTF8AndSize(keyword, &length);
    if (!text) {
        PyErr_Clear();
        return -1;
    }
    for (int i = from; i < s->total; i++) {
        if (s->length[i] == length && memcmp(s->text + s->offset[i], text, (size_t)length) == 0) return i;
    }
    return -1;
}

COLD NOINLINE static int missing(const Signature *s, Py_ssize_t nargs, int i)
{
    if (i < s->positional_only) {
        int required = s->required_positional < s->positional_only ? s->required_positional : s->positional_only;
        PyErr_Format(PyExc_TypeError, "%.200s%s takes %s %d positional argument%s (%zd given)", shown_name(s), brackets(s),
                     required < s->positional ? "at least" : "exactly", required, plural(required), nargs);
    }
    else {
        PyErr_Format(PyExc_TypeError, "%.200s%s missing required argument '%.*s' (pos %d)", shown_name(s), brackets(s), (int)s->length[i],
                     s->text + s->offset[i], i + 1);
    }
    return -1;
}

/* ---- keywords that do not fit --------------------------------------------------------------------------------------------- */

/* The nearest of names (a list of str), or None; NULL without exception when that cannot be said. New reference. */
COLD NOINLINE static PyObject *nearest(PyObject *names, PyObject *keyword)
{
    PyObject *module = PyImport_ImportModule("_suggestions"), *result = NULL;
    if (module) result = PyObject_CallMethod(module, "_generate_suggestions", "OO", names, keyword);
    Py_XDECREF(module);
    if (!result) PyErr_Clear();
    return result;
}

COLD NOINLINE void args_set_unexpected(const char *function, PyObject *names, PyObject *keyword)
{
    const char *shown = function ? function : "this function", *brackets = function ? "()" : "";
    PyObject *suggestion = nearest(names, keyword);
    if (suggestion && suggestion != Py_None)
        PyErr_Format(PyExc_TypeError, "%.200s%s got an unexpected keyword argument '%S'. Did you mean '%S'?", shown, brackets, keyword, suggestion);
    else PyErr_Format(PyExc_TypeError, "%.200s%s got an unexpected keyword argument '%S'", shown, brackets, keyword);
    Py_XDECREF(suggestion);
}

COLD NOINLINE int args_reject_keywords(const char *function, PyObject *names, PyObject *keywords)
{
    PyObject *all = PySequence_List(keywords);                 /* comparing runs code that may change a dict */
    for (Py_ssize_t i = 0; all && i < PyList_GET_SIZE(all); i++) {
        PyObject *keyword = PyList_GET_ITEM(all, i);
        int known = PyUnicode_Check(keyword) ? PySequence_Contains(names, keyword) : -1;
        if (known > 0) continue;
        if (known == 0) args_set_unexpected(function, names, keyword);
        else if (!PyErr_Occurred()) PyErr_SetString(PyExc_TypeError, "keywords must be strings");
        Py_DECREF(all);
        return -1;
    }
    /* equal to a name, but not the same text: a str subclass with an __eq__ of its own */
    if (all) PyErr_Format(PyExc_TypeError, "invalid keyword argument for %.200s%s", function ? function : "this function", function ? "()" : "");
    Py_XDECREF(all);
    return -1;
}

COLD NOINLINE static PyObject *parameter_names(const Signature *s)
{
    PyObject *list = PyList_New(0);
    for (int i = s->positional_only; list && i < s->total; i++) {
        PyObject *name = PyUnicode_FromStringAndSize(s->text + s->offset[i], s->length[i]);
        if (!name || PyList_Append(list, name) < 0) Py_CLEAR(list);
        Py_XDECREF(name);
    }
    return list;
}

static int check_required(const Signature *s, Py_ssize_t nargs, PyObject **out);

/* Some keyword found no place: a missing argument is reported first, then one given twice, then the unknown keyword. */
COLD NOINLINE static int reject(const Signature *s, Py_ssize_t nargs, PyObject *keywords, PyObject **out)
{
    if (check_required(s, nargs, out) < 0) return -1;
    PyObject *names = parameter_names(s), *all = PySequence_List(keywords);
    if (!names || !all) goto done;
    for (int i = s->positional_only; i < nargs; i++) {
        for (Py_ssize_t k = 0; k < PyList_GET_SIZE(all); k++) {
            PyObject *keyword = PyList_GET_ITEM(all, k);
            if (!PyUnicode_Check(keyword) || find_parameter(s, keyword, s->positional_only) != i) continue;
            PyErr_Format(PyExc_TypeError, "argument for %.200s%s given by name ('%U') and position (%d)", shown_name(s), brackets(s), keyword, i + 1);
            goto done;
        }
    }
    args_reject_keywords(is_unnamed(s) ? NULL : s->name, names, all);
done:
    Py_XDECREF(names);
    Py_XDECREF(all);
    return -1;
}

/* One keyword argument. False: it is unknown, or its parameter has a value already. */
static inline bool bind_keyword(const Signature *s, PyObject *keyword, PyObject *value, PyObject **out)
{
    int i = PyUnicode_Check(keyword) ? find_parameter(s, keyword, s->positional_only) : -1;
    if (UNLIKELY(i < 0 || out[i])) return false;
    out[i] = value;
    return true;
}

/* ---- binding ------------------------------------------------------------------------------------------------------------------ */

static int bind_positional(const Signature *s, PyObject *const *args, Py_ssize_t nargs, Py_ssize_t nkeywords, PyObject **out)
{
    if (s->family < FAMILY_KEYWORDS) {
        if (nkeywords) {
            PyErr_Format(PyExc_TypeError, "%.200s() takes no keyword arguments", s->name);
            return -1;
        }
        if (nargs < s->required_positional || nargs > s->positional) return wrong_count_positional(s, nargs);
    }
    else if (UNLIKELY(nargs > s->positional || nargs + nkeywords > s->total)) return too_many(s, nargs, nkeywords);
    for (Py_ssize_t i = 0; i < nargs; i++) out[i] = args[i];
    for (Py_ssize_t i = nargs; i < s->total; i++) out[i] = NULL;
    return 0;
}

static int check_required(const Signature *s, Py_ssize_t nargs, PyObject **out)
{
    for (uint32_t left = s->required & (nargs < 32 ? ~0u << nargs : 0); left; left &= left - 1) {
        int i = __builtin_ctz(left);
        if (!out[i]) return missing(s, nargs, i);
    }
    return 0;
}

int args_bind(Signature *signature, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames, PyObject **out)
{
    const Signature *s = args_signature(signature);
    Py_ssize_t nkeywords = kwnames ? PyTuple_GET_SIZE(kwnames) : 0;
    if (bind_positional(s, args, nargs, nkeywords, out) < 0) return -1;
    bool fits = true;
    for (Py_ssize_t k = 0; k < nkeywords; k++) fits &= bind_keyword(s, PyTuple_GET_ITEM(kwnames, k), args[nargs + k], out);
    if (UNLIKELY(!fits)) return reject(s, nargs, kwnames, out);
    return check_required(s, nargs, out);
}

int args_bind_tuple(Signature *signature, PyObject *args, PyObject *kwargs, PyObject **out)
{
    const Signature *s = args_signature(signature);
    Py_ssize_t nargs = PyTuple_GET_SIZE(args), at = 0;
    PyObject *const *items = ((PyTupleObject *)args)->ob_item;
    PyObject *key, *value;
    if (bind_positional(s, items, nargs, kwargs ? PyDict_GET_SIZE(kwargs) : 0, out) < 0) return -1;
    if (kwargs) {
        bool fits = true;
        while (PyDict_Next(kwargs, &at, &key, &value)) fits &= bind_keyword(s, key, value, out);
        if (UNLIKELY(!fits)) return reject(s, nargs, kwargs, out);
    }
    return check_required(s, nargs, out);
}
