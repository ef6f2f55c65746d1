/* _locale: the C library's locale, for the locale and gettext modules. */
#include "taipan.h"
#include "capi/args.h"

#include <errno.h>
#include <langinfo.h>
#include <libintl.h>
#include <limits.h>
#include <locale.h>
#include <string.h>
#include <wchar.h>

typedef struct LocaleState { PyObject *error; } LocaleState;

static const char *text_of(PyObject *o, const char *function, int index)
{
    if (!PyUnicode_Check(o)) {
        PyErr_Format(PyExc_TypeError, "%s() argument %d must be str, not %.50s", function, index, o == Py_None ? "None" : Py_TYPE(o)->tp_name);
        return NULL;
    }
    Py_ssize_t length;
    const char *text = PyUnicode_AsUTF8AndSize(o, &length);
    if (text && strlen(text) != (size_t)length) {
        PyErr_SetString(PyExc_ValueError, "embedded null character");
        return NULL;
    }
    return text;
}

BUILTIN(locale, setlocale, POSITIONAL, "($module, category, locale=<unrepresentable>, /)", "Activates/queries locale processing.")
{
    LocaleState *state = PyModule_GetState(self);
    int category = PyLong_AsInt(arg[0]);
    if (category == -1 && PyErr_Occurred()) return NULL;
    const char *name = NULL;
    if (arg[1] && arg[1] != Py_None) {
        if (!PyUnicode_Check(arg[1])) {
            PyErr_Format(PyExc_TypeError, "setlocale() argument 2 must be str or None, not %.50s", Py_TYPE(arg[1])->tp_name);
            return NULL;
        }
        if (!(name = text_of(arg[1], "setlocale", 2))) return NULL;
    }
    const char *result = setlocale(category, name);
    if (!result) {
        PyErr_SetString(state->error, name ? "unsupported locale setting" : "locale query failed");
        return NULL;
    }
    return PyUnicode_DecodeLocale(result, NULL);
}

static PyObject *grouping_list(const char *grouping)
{
    if (grouping[0] == 0) return PyList_New(0);
    Py_ssize_t n = 0;
    while (grouping[n] && grouping[n] != CHAR_MAX) n++;
    PyObject *list = PyList_New(n + 1);
    for (Py_ssize_t i = 0; list && i <= n; i++) {
        PyObject *value = PyLong_FromLong(grouping[i]);
        if (!value) Py_CLEAR(list);
        else PyList_SET_ITEM(list, i, value);
    }
    return list;
}

/* Numeric and monetary strings are in the encoding of their own category: decode them under it. */
static PyObject *decode_in(int category, const char *text)
{
    char old[128] = "";
    bool ascii = true;
    for (const char *p = text; *p; p++) if ((unsigned char)*p >= 0x80) ascii = false;
    const char *current = setlocale(LC_CTYPE, NULL), *wanted = setlocale(category, NULL);
    bool change = !ascii && current && wanted && strcmp(current, wanted) && strlen(current) < sizeof old;
    char copy[256];
    snprintf(copy, sizeof copy, "%s", text);
    if (change) {
        char target[128];
        strcpy(old, current);
        snprintf(target, sizeof target, "%s", wanted);
        setlocale(LC_CTYPE, target);
    }
    PyObject *result = PyUnicode_DecodeLocale(copy, NULL);
    if (change) setlocale(LC_CTYPE, old);
    return result;
}

static int put(PyObject *dict, const char *name, PyObject *value)       /* value stolen */
{
    int status = value ? PyDict_SetItemString(dict, name, value) : -1;
    Py_XDECREF(value);
    return status;
}

BUILTIN_NOARGS(locale, localeconv, "($module, /)", "Returns numeric and monetary locale-specific parameters.")
{
    PyObject *dict = PyDict_New();
    if (!dict) return NULL;
    struct lconv *l = localeconv();
#define INTEGER(field) || put(dict, #field, PyLong_FromLong(l->field))
#define MONETARY(field) || put(dict, #field, decode_in(LC_MONETARY, l->field))
#define NUMERIC(field) || put(dict, #field, decode_in(LC_NUMERIC, l->field))
    if (0 NUMERIC(decimal_point) NUMERIC(thousands_sep) || put(dict, "grouping", grouping_list(l->grouping))
        MONETARY(int_curr_symbol) MONETARY(currency_symbol) MONETARY(mon_decimal_point) MONETARY(mon_thousands_sep)
        || put(dict, "mon_grouping", grouping_list(l->mon_grouping)) MONETARY(positive_sign) MONETARY(negative_sign)
        INTEGER(int_frac_digits) INTEGER(frac_digits) INTEGER(p_cs_precedes) INTEGER(p_sep_by_space) INTEGER(n_cs_precedes)
        INTEGER(n_sep_by_space) INTEGER(p_sign_posn) INTEGER(n_sign_posn)) Py_CLEAR(dict);
    return dict;
}

BUILTIN(locale, strcoll, POSITIONAL, "($module, os1, os2, /)", "Compares two strings according to the locale.")
{
    if (!text_of(arg[0], "strcoll", 1) || !text_of(arg[1], "strcoll", 2)) {
        if (PyErr_ExceptionMatches(PyExc_ValueError) && !PyErr_ExceptionMatches(PyExc_UnicodeError)) return NULL;
        if (PyErr_ExceptionMatches(PyExc_TypeError)) return NULL;
        PyErr_Clear();
    }
    wchar_t *a = PyUnicode_AsWideCharString(arg[0], NULL), *b = a ? PyUnicode_AsWideCharString(arg[1], NULL) : NULL;
    PyObject *result = b ? PyLong_FromLong(wcscoll(a, b)) : NULL;
    PyMem_Free(a);
    PyMem_Free(b);
    return result;
}

BUILTIN_O(locale, strxfrm, "($module, string, /)", "Return a string that can be used as a key for locale-aware comparisons.")
{
    if (!PyUnicode_Check(arg)) {
        text_of(arg, "strxfrm", 1);
        return NULL;
    }
    Py_ssize_t length;
    wchar_t *text = PyUnicode_AsWideCharString(arg, &length), *buffer = NULL;
    PyObject *result = NULL;
    if (!text) return NULL;
    if (wcslen(text) != (size_t)length) {
        PyErr_SetString(PyExc_ValueError, "embedded null character");
        goto done;
    }
    size_t size = (size_t)length + 1;
    if (!(buffer = PyMem_New(wchar_t, size))) { PyErr_NoMemory(); goto done; }
    errno = 0;
    size_t needed = wcsxfrm(buffer, text, size);
    if (errno && errno != ERANGE) { PyErr_SetFromErrno(PyExc_OSError); goto done; }
    if (needed >= size) {
        wchar_t *grown = PyMem_Realloc(buffer, (needed + 1) * sizeof *buffer);
        if (!grown) { PyErr_NoMemory(); goto done; }
        buffer = grown;
        errno = 0;
        needed = wcsxfrm(buffer, text, needed + 1);
        if (errno) { PyErr_SetFromErrno(PyExc_OSError); goto done; }
    }
    /* Keys may hold values that are no characters: spread those, keeping the order. */
    for (size_t i = 0; i < needed; i++)
        if ((unsigned)buffer[i] > 0x10ffff) buffer[i] = 0x10ffff;
    result = PyUnicode_FromWideChar(buffer, (Py_ssize_t)needed);
done:
    PyMem_Free(buffer);
    PyMem_Free(text);
    return result;
}

static const struct { const char *name; nl_item key; } langinfo_keys[] = {
#define K(name) {#name, name},
    K(DAY_1) K(DAY_2) K(DAY_3) K(DAY_4) K(DAY_5) K(DAY_6) K(DAY_7) K(ABDAY_1) K(ABDAY_2) K(ABDAY_3) K(ABDAY_4) K(ABDAY_5)
    K(ABDAY_6) K(ABDAY_7) K(MON_1) K(MON_2) K(MON_3) K(MON_4) K(MON_5) K(MON_6) K(MON_7) K(MON_8) K(MON_9) K(MON_10) K(MON_11)
    K(MON_12) K(ABMON_1) K(ABMON_2) K(ABMON_3) K(ABMON_4) K(ABMON_5) K(ABMON_6) K(ABMON_7) K(ABMON_8) K(ABMON_9) K(ABMON_10)
    K(ABMON_11) K(ABMON_12) K(RADIXCHAR) K(THOUSEP) K(CRNCYSTR) K(D_FMT) K(D_T_FMT) K(T_FMT) K(AM_STR) K(PM_STR) K(CODESET)
    K(T_FMT_AMPM) K(ERA) K(ERA_D_FMT) K(ERA_D_T_FMT) K(ERA_T_FMT) K(ALT_DIGITS) K(YESEXPR) K(NOEXPR) K(_DATE_FMT)
#undef K
};

BUILTIN_O(locale, nl_langinfo, "($module, key, /)", "Return the value for the locale information associated with key.")
{
    int key = PyLong_AsInt(arg);
    if (key == -1 && PyErr_Occurred()) return NULL;
    for (size_t i = 0; i < sizeof langinfo_keys / sizeof *langinfo_keys; i++) {
        if (langinfo_keys[i].key != key) continue;
        const char *text = nl_langinfo(key);
        int category = key == RADIXCHAR || key == THOUSEP ? LC_NUMERIC : key == CRNCYSTR ? LC_MONETARY
                       : key == YESEXPR || key == NOEXPR ? LC_MESSAGES : key == CODESET ? LC_CTYPE : LC_TIME;
        if (key == ALT_DIGITS && text && *text) {           /* strings one after the other, each with its NUL */
            PyObject *joined = PyUnicode_FromString("");
            for (int n = 0; joined && n < 100 && *text; n++, text += strlen(text) + 1) {
                PyObject *part = decode_in(category, text);
                PyObject *next = part ? PyUnicode_FromFormat(n ? "%U;%U" : "%U%U", joined, part) : NULL;
                Py_XDECREF(part);
                Py_SETREF(joined, next);
            }
            return joined;
        }
        return decode_in(category, text ? text : "");
    }
    PyErr_SetString(PyExc_ValueError, "unsupported langinfo constant");
    return NULL;
}

BUILTIN_O(locale, gettext, "($module, msg, /)", "gettext(msg) -> string\n\nReturn translation of msg.")
{
    const char *message = text_of(arg, "gettext", 1);
    return message ? PyUnicode_DecodeLocale(gettext(message), NULL) : NULL;
}

static const char *domain_of(PyObject *o, const char *function, bool *failed)
{
    *failed = false;
    if (o == Py_None) return NULL;
    if (!PyUnicode_Check(o)) {
        PyErr_Format(PyExc_TypeError, "%s() argument 1 must be str or None, not %.50s", function, Py_TYPE(o)->tp_name);
        *failed = true;
        return NULL;
    }
    const char *text = text_of(o, function, 1);
    *failed = !text;
    return text;
}

BUILTIN(locale, dgettext, POSITIONAL, "($module, domain, msg, /)", "dgettext(domain, msg) -> string\n\nReturn translation of msg in domain.")
{
    bool failed;
    const char *domain = domain_of(arg[0], "dgettext", &failed), *message = failed ? NULL : text_of(arg[1], "dgettext", 2);
    return message ? PyUnicode_DecodeLocale(dgettext(domain, message), NULL) : NULL;
}

BUILTIN(locale, dcgettext, POSITIONAL, "($module, domain, msg, category, /)", "Return translation of msg in domain and category.")
{
    bool failed;
    const char *domain = domain_of(arg[0], "dcgettext", &failed), *message = failed ? NULL : text_of(arg[1], "dcgettext", 2);
    if (!message) return NULL;
    int category = PyLong_AsInt(arg[2]);
    if (category == -1 && PyErr_Occurred()) return NULL;
    return PyUnicode_DecodeLocale(dcgettext(domain, message, category), NULL);
}

BUILTIN_O(locale, textdomain, "($module, domain, /)", "Set the C library's textdmain to domain, returning the new domain.")
{
    bool failed;
    const char *domain = domain_of(arg, "textdomain", &failed);
    if (failed) return NULL;
    const char *now = textdomain(domain);
    if (!now) return PyErr_SetFromErrno(PyExc_OSError);
    return PyUnicode_DecodeLocale(now, NULL);
}

BUILTIN(locale, bindtextdomain, POSITIONAL, "($module, domain, dir, /)", "Bind the C library's domain to dir.")
{
    LocaleState *state = PyModule_GetState(self);
    const char *domain = text_of(arg[0], "bindtextdomain", 1), *folder = NULL;
    PyObject *bytes = NULL;
    if (!domain) return NULL;
    if (!*domain) {
        PyErr_SetString(state->error, "domain must be a non-empty string");
        return NULL;
    }
    if (arg[1] != Py_None) {
        if (!PyUnicode_FSConverter(arg[1], &bytes)) return NULL;
        folder = PyBytes_AsString(bytes);
    }
    const char *now = bindtextdomain(domain, folder);
    Py_XDECREF(bytes);
    if (!now) return PyErr_SetFromErrno(PyExc_OSError);
    return PyUnicode_DecodeLocale(now, NULL);
}

BUILTIN(locale, bind_textdomain_codeset, POSITIONAL, "($module, domain, codeset, /)", "Bind the C library's domain to codeset.")
{
    const char *domain = text_of(arg[0], "bind_textdomain_codeset", 1), *codeset = NULL;
    if (!domain || (arg[1] != Py_None && !(codeset = text_of(arg[1], "bind_textdomain_codeset", 2)))) return NULL;
    const char *now = bind_textdomain_codeset(domain, codeset);
    if (now) return PyUnicode_DecodeLocale(now, NULL);
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(locale, getencoding, "($module, /)", "Get the current locale encoding.")
{
    const char *codeset = nl_langinfo(CODESET);
    return codeset && *codeset ? PyUnicode_DecodeLocale(codeset, "surrogateescape") : PyUnicode_FromString("utf-8");
}

static PyMethodDef locale_methods[] = {
    METHOD(locale, setlocale), METHOD(locale, localeconv), METHOD(locale, strcoll), METHOD(locale, strxfrm),
    METHOD(locale, nl_langinfo), METHOD(locale, gettext), METHOD(locale, dgettext), METHOD(locale, dcgettext),
    METHOD(locale, textdomain), METHOD(locale, bindtextdomain), METHOD(locale, bind_textdomain_codeset),
    METHOD(locale, getencoding), {0}
};

static int locale_exec(PyObject *module)
{
    static const struct { const char *name; int value; } constants[] = {
        {"LC_CTYPE", LC_CTYPE}, {"LC_TIME", LC_TIME}, {"LC_COLLATE", LC_COLLATE}, {"LC_MONETARY", LC_MONETARY},
        {"LC_MESSAGES", LC_MESSAGES}, {"LC_NUMERIC", LC_NUMERIC}, {"LC_ALL", LC_ALL}, {"CHAR_MAX", CHAR_MAX},
    };
    LocaleState *state = PyModule_GetState(module);
    for (size_t i = 0; i < sizeof constants / sizeof *constants; i++)
        if (PyModule_AddIntConstant(module, constants[i].name, constants[i].value) < 0) return -1;
    for (size_t i = 0; i < sizeof langinfo_keys / sizeof *langinfo_keys; i++)
        if (PyModule_AddIntConstant(module, langinfo_keys[i].name, langinfo_keys[i].key) < 0) return -1;
    state->error = PyErr_NewException("locale.Error", NULL, NULL);
    return PyModule_AddObjectRef(module, "Error", state->error);
}

static int locale_traverse(PyObject *module, visitproc visit, void *arg)
{
    LocaleState *state = PyModule_GetState(module);
    if (state) Py_VISIT(state->error);
    return 0;
}

static int locale_clear(PyObject *module)
{
    LocaleState *state = PyModule_GetState(module);
    if (state) Py_CLEAR(state->error);
    return 0;
}

static PyModuleDef_Slot locale_slots[] = {
    {Py_mod_exec, (void *)locale_exec}, {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED}, {0, NULL}
};

static PyModuleDef locale_module = {
    PyModuleDef_HEAD_INIT, .m_name = "_locale", .m_doc = "Support for POSIX locales.", .m_size = sizeof(LocaleState),
    .m_methods = locale_methods, .m_slots = locale_slots, .m_traverse = locale_traverse, .m_clear = locale_clear,
};

PyMODINIT_FUNC PyInit__locale(void) { return PyModuleDef_Init(&locale_module); }
