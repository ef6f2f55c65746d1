/* Arguments of a call to a Python function: positional, keyword, defaults, *args and **kwargs, and every way to get it wrong. */
#include "eval/eval_private.h"

/* ---- wrong calls ------------------------------------------------------------------------------------------------------ */

static PyObject *qualname(PyFunctionObject *func) { return func->func_qualname; }

/* names: list of repr'd names. */
COLD static void report_missing(const char *kind, PyFunctionObject *func, PyObject *names)
{
    Py_ssize_t n = PyList_GET_SIZE(names);
    PyObject *text;
    if (n == 1) text = Py_NewRef(PyList_GET_ITEM(names, 0));
    else if (n == 2) text = PyUnicode_FromFormat("%U and %U", PyList_GET_ITEM(names, 0), PyList_GET_ITEM(names, 1));
    else {
        PyObject *tail = PyUnicode_FromFormat(", %U, and %U", PyList_GET_ITEM(names, n - 2), PyList_GET_ITEM(names, n - 1));
        if (!tail) return;
        if (PyList_SetSlice(names, n - 2, n, NULL) < 0) {
            Py_DECREF(tail);
            return;
        }
        PyObject *comma = PyUnicode_FromString(", "), *head = comma ? PyUnicode_Join(comma, names) : NULL;
        text = head ? PyUnicode_Concat(head, tail) : NULL;
        Py_XDECREF(comma);
        Py_XDECREF(head);
        Py_DECREF(tail);
    }
    if (!text) return;
    PyErr_Format(PyExc_TypeError, "%U() missing %i required %s argument%s: %U", qualname(func), (int)n, kind, n == 1 ? "" : "s", text);
    Py_DECREF(text);
}

COLD static int missing_arguments(PyCodeObject *co, Py_ssize_t missing, Py_ssize_t defaults, PyObject **locals, PyFunctionObject *func)
{
    Py_ssize_t start = defaults < 0 ? co->co_argcount : 0;
    Py_ssize_t end = defaults < 0 ? co->co_argcount + co->co_kwonlyargcount : co->co_argcount - defaults;
    PyObject *names = PyList_New(0);
    for (Py_ssize_t i = start; names && i < end; i++) {
        if (locals[i]) continue;
        PyObject *name = PyObject_Repr(PyTuple_GET_ITEM(co->co_localsplusnames, i));
        if (!name || PyList_Append(names, name) < 0) Py_CLEAR(names);
        Py_XDECREF(name);
    }
    if (names) report_missing(defaults < 0 ? "keyword-only" : "positional", func, names);
    Py_XDECREF(names);
    return -1;
}

COLD static int too_many_positional(PyCodeObject *co, Py_ssize_t given, PyObject *defaults, PyObject **locals, PyFunctionObject *func)
{
    Py_ssize_t kwonly = 0, ndefaults = defaults ? PyTuple_GET_SIZE(defaults) : 0;
    for (int i = co->co_argcount; i < co->co_argcount + co->co_kwonlyargcount; i++) kwonly += locals[i] != NULL;
    bool plural = ndefaults || co->co_argcount != 1;
    PyObject *takes = ndefaults ? PyUnicode_FromFormat("from %zd to %d", co->co_argcount - ndefaults, co->co_argcount)
                                : PyUnicode_FromFormat("%d", co->co_argcount);
    PyObject *also = kwonly ? PyUnicode_FromFormat(" positional argument%s (and %zd keyword-only argument%s)", given != 1 ? "s" : "",
                                                   kwonly, kwonly != 1 ? "s" : "")
                            : PyUnicode_FromString("");
    if (takes && also)
        PyErr_Format(PyExc_TypeError, "%U() takes %U positional argument%s but %zd%U %s given", qualname(func), takes, plural ? "s" : "",
                     given, also, given == 1 && !kwonly ? "was" : "were");
    Py_XDECREF(takes);
    Py_XDECREF(also);
    return -1;
}

/* True with TypeError when keywords name positional-only parameters. */
COLD static bool positional_only_as_keyword(PyCodeObject *co, PyObject *kwnames, PyFunctionObject *func)
{
    PyObject *names = PyList_New(0), *comma = NULL, *text = NULL;
    for (int k = 0; names && k < co->co_posonlyargcount; k++) {
        PyObject *name = PyTuple_GET_ITEM(co->co_localsplusnames, k);
        for (Py_ssize_t i = 0; names && i < PyTuple_GET_SIZE(kwnames); i++) {
            PyObject *given = PyTuple_GET_ITEM(kwnames, i);
            int eq = given == name ? 1 : PyObject_RichCompareBool(given, name, Py_EQ);
            if (eq < 0 || (eq && PyList_Append(names, given) < 0)) Py_CLEAR(names);
        }
    }
    bool found = !names || PyList_GET_SIZE(names) > 0;
    if (names && found && (comma = PyUnicode_FromString(", ")) && (text = PyUnicode_Join(comma, names)))
        PyErr_Format(PyExc_TypeError, "%U() got some positional-only arguments passed as keyword arguments: '%U'", qualname(func), text);
    Py_XDECREF(names);
    Py_XDECREF(comma);
    Py_XDECREF(text);
    return found;
}

/* The parameter that an unexpected keyword may have meant, NEW or NULL (no exception set). */
COLD static PyObject *suggest_keyword(PyCodeObject *co, PyObject *keyword)
{
    PyObject *names = PyList_New(0), *suggestions = NULL, *result = NULL;
    for (int i = co->co_posonlyargcount; names && i < co->co_argcount + co->co_kwonlyargcount; i++)
        if (PyList_Append(names, PyTuple_GET_ITEM(co->co_localsplusnames, i)) < 0) Py_CLEAR(names);
    if (names && (suggestions = PyImport_ImportModule("_suggestions")))
        result = PyObject_CallMethod(suggestions, "_generate_suggestions", "OO", names, keyword);
    PyErr_Clear();
    if (result && !PyUnicode_Check(result)) Py_CLEAR(result);
    Py_XDECREF(suggestions);
    Py_XDECREF(names);
    return result;
}

COLD static int unexpected_keyword(PyCodeObject *co, PyObject *keyword, PyObject *kwnames, PyFunctionObject *func)
{
    if (co->co_posonlyargcount && positional_only_as_keyword(co, kwnames, func)) return -1;
    PyObject *suggestion = suggest_keyword(co, keyword);
    if (suggestion)
        PyErr_Format(PyExc_TypeError, "%U() got an unexpected keyword argument '%S'. Did you mean '%S'?", qualname(func), keyword,
                     suggestion);
    else PyErr_Format(PyExc_TypeError, "%U() got an unexpected keyword argument '%S'", qualname(func), keyword);
    Py_XDECREF(suggestion);
    return -1;
}

/* ---- binding ------------------------------------------------------------------------------------------------------------ */

/* Index of the parameter of that name, -1 none, -2 error. */
static inline Py_ssize_t find_parameter(PyCodeObject *co, PyObject *keyword)
{
    PyObject **names = ((PyTupleObject *)co->co_localsplusnames)->ob_item;
    Py_ssize_t n = co->co_argcount + co->co_kwonlyargcount;
    for (Py_ssize_t i = co->co_posonlyargcount; i < n; i++)
        if (names[i] == keyword) return i;
    for (Py_ssize_t i = co->co_posonlyargcount; i < n; i++) {
        int eq = PyObject_RichCompareBool(keyword, names[i], Py_EQ);
        if (eq) return eq < 0 ? -2 : i;
    }
    return -1;
}

/* Values (stolen, all of them, also on failure) of the keywords. */
static int bind_keywords(PyFunctionObject *func, PyCodeObject *co, PyObject **locals, PyObject *const *values, PyObject *kwnames,
                         PyObject *kwdict)
{
    Py_ssize_t n = PyTuple_GET_SIZE(kwnames), i = 0;
    for (; i < n; i++) {
        PyObject *keyword = PyTuple_GET_ITEM(kwnames, i), *value = values[i];
        if (UNLIKELY(!PyUnicode_Check(keyword))) {
            PyErr_Format(PyExc_TypeError, "%U() keywords must be strings", qualname(func));
            goto fail;
        }
        Py_ssize_t at = find_parameter(co, keyword);
        if (at == -2) goto fail;
        if (at >= 0) {
            if (locals[at]) {
                PyErr_Format(PyExc_TypeError, "%U() got multiple values for argument '%S'", qualname(func), keyword);
                goto fail;
            }
            locals[at] = value;
            continue;
        }
        if (!kwdict) {
            unexpected_keyword(co, keyword, kwnames, func);
            goto fail;
        }
        if (PyDict_SetItem(kwdict, keyword, value) < 0) goto fail;
        Py_DECREF(value);
    }
    return 0;
fail:
    for (; i < n; i++) Py_DECREF(values[i]);
    return -1;
}

static int fill_defaults(PyFunctionObject *func, PyCodeObject *co, PyObject **locals, Py_ssize_t given)
{
    Py_ssize_t ndefaults = func->func_defaults ? PyTuple_GET_SIZE(func->func_defaults) : 0;
    Py_ssize_t required = co->co_argcount - ndefaults, missing = 0;
    for (Py_ssize_t i = given; i < required; i++) missing += !locals[i];
    if (missing) return missing_arguments(co, missing, ndefaults, locals, func);
    for (Py_ssize_t i = given > required ? given - required : 0; i < ndefaults; i++)
        if (required + i >= 0 && !locals[required + i]) locals[required + i] = Py_NewRef(PyTuple_GET_ITEM(func->func_defaults, i));
    return 0;
}

static int fill_keyword_defaults(PyFunctionObject *func, PyCodeObject *co, PyObject **locals)
{
    Py_ssize_t missing = 0;
    for (int i = co->co_argcount; i < co->co_argcount + co->co_kwonlyargcount; i++) {
        if (locals[i]) continue;
        if (func->func_kwdefaults) {
            PyObject *value, *defaults = Py_NewRef(func->func_kwdefaults);      /* a hostile key may replace it */
            int found = PyDict_GetItemRef(defaults, PyTuple_GET_ITEM(co->co_localsplusnames, i), &value);
            Py_DECREF(defaults);
            if (found < 0) return -1;
            if (value) {
                locals[i] = value;
                continue;
            }
        }
        missing++;
    }
    return missing ? missing_arguments(co, missing, -1, locals, func) : 0;
}

/* Puts arguments into the locals of a new frame (all NULL there). Arguments STOLEN, also on failure; kwnames borrowed, its
 * values follow the positional ones. 0 or -1 (locals that were filled stay filled). */
static int function_bind(PyFunctionObject *func, PyObject **locals, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    PyCodeObject *co = (PyCodeObject *)func->func_code;
    Py_ssize_t positional = co->co_argcount, n = nargs < positional ? nargs : positional;
    int total = co->co_argcount + co->co_kwonlyargcount;
    PyObject *kwdict = NULL;
    Py_ssize_t nkw = kwnames ? PyTuple_GET_SIZE(kwnames) : 0, j = 0;
    if (UNLIKELY(co->co_flags & CO_VARKEYWORDS)) {
        if (!(kwdict = PyDict_New())) goto fail;
        locals[total + !!(co->co_flags & CO_VARARGS)] = kwdict;
    }
    for (; j < n; j++) locals[j] = args[j];
    if (co->co_flags & CO_VARARGS) {
        PyObject *rest = nargs == n ? Py_NewRef(EMPTY_TUPLE) : PyTuple_New(nargs - n);
        if (!rest) goto fail;
        for (; j < nargs; j++) PyTuple_SET_ITEM(rest, j - n, args[j]);
        locals[total] = rest;
    }
    else if (UNLIKELY(nargs > n)) {
        for (; j < nargs; j++) Py_DECREF(args[j]);
        if (kwnames) {
            if (bind_keywords(func, co, locals, args + nargs, kwnames, kwdict) < 0) return -1;
        }
        return too_many_positional(co, nargs, func->func_defaults, locals, func);
    }
    if (kwnames && bind_keywords(func, co, locals, args + nargs, kwnames, kwdict) < 0) return -1;
    if (nargs < positional && fill_defaults(func, co, locals, n) < 0) return -1;
    if (co->co_kwonlyargcount && fill_keyword_defaults(func, co, locals) < 0) return -1;
    return 0;
fail:
    for (; j < nargs + nkw; j++) Py_DECREF(args[j]);
    return -1;
}

/* ---- frames of calls ------------------------------------------------------------------------------------------------------ */

Frame *frame_push_call(PyThreadState *ts, PyFunctionObject *func, PyObject *locals, PyObject *const *args, Py_ssize_t nargs,
                       PyObject *kwnames)
{
    PyCodeObject *co = (PyCodeObject *)func->func_code;
    Frame *f = frame_stack_push(ts, (size_t)co->co_framesize);
    if (UNLIKELY(!f)) {
        Py_DECREF(func);
        Py_XDECREF(locals);
        for (Py_ssize_t i = 0, n = nargs + (kwnames ? PyTuple_GET_SIZE(kwnames) : 0); i < n; i++) Py_DECREF(args[i]);
        return NULL;
    }
    if (LIKELY(!kwnames && nargs == co->co_argcount && !co->co_kwonlyargcount && !(co->co_flags & (CO_VARARGS | CO_VARKEYWORDS)))) {
        frame_init(f, func, locals, co, (int)nargs);
        SHORT_LOOP for (Py_ssize_t i = 0; i < nargs; i++) f->localsplus[i] = args[i];
        return f;
    }
    frame_init(f, func, locals, co, 0);
    if (UNLIKELY(function_bind(func, f->localsplus, args, nargs, kwnames) < 0)) {
        frame_leave_slow(ts, f);
        return NULL;
    }
    return f;
}

Frame *frame_push_call_ex(PyThreadState *ts, PyFunctionObject *func, PyObject *locals, PyObject *args, PyObject *kwargs)
{
    Py_ssize_t nargs = PyTuple_GET_SIZE(args), nkw = kwargs ? PyDict_GET_SIZE(kwargs) : 0;
    PyObject *kwnames = NULL, *small[12], **all = small;
    Frame *f = NULL;
    if (nkw && !(kwnames = PyTuple_New(nkw))) goto fail;
    if (nargs + nkw > (Py_ssize_t)ARRAY_LENGTH(small)) {
        all = PyMem_Malloc((size_t)(nargs + nkw) * sizeof(PyObject *));
        if (!all) {
            PyErr_NoMemory();
            goto fail;
        }
    }
    for (Py_ssize_t i = 0; i < nargs; i++) all[i] = Py_NewRef(PyTuple_GET_ITEM(args, i));
    if (nkw) {
        PyObject *key, *value;
        Py_ssize_t position = 0, i = 0;
        while (i < nkw && PyDict_Next(kwargs, &position, &key, &value)) {
            if (UNLIKELY(!PyUnicode_Check(key))) {
                PyErr_SetString(PyExc_TypeError, "keywords must be strings");
                for (Py_ssize_t j = 0; j < nargs + i; j++) Py_DECREF(all[j]);
                if (all != small) PyMem_Free(all);
                goto fail;
            }
            PyTuple_SET_ITEM(kwnames, i, Py_NewRef(key));
            all[nargs + i++] = Py_NewRef(value);
        }
    }
    f = frame_push_call(ts, func, locals, all, nargs, kwnames);
    if (all != small) PyMem_Free(all);
    goto done;
fail:
    Py_DECREF(func);
    Py_XDECREF(locals);
done:
    Py_XDECREF(kwnames);
    Py_DECREF(args);
    Py_XDECREF(kwargs);
    return f;
}
