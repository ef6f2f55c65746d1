/* _warnings: issuing and filtering warnings, and PyErr_Warn*. State per interpreter (RuntimeState.warnings); once the library's
 * warnings module is imported its filters, onceregistry, defaultaction and _showwarnmsg count instead. */
#include "runtime/state.h"
#include "runtime/runtime_private.h"
#include "capi/args.h"

#include <string.h>

static WarningsState *warnings_state(void) { return &interp_get()->runtime.warnings; }

/* ---- state ------------------------------------------------------------------------------------------------------ */

static PyObject *filter_new(PyObject *category, const char *action, const char *module)
{
    return Py_BuildValue("(sOOzi)", action, Py_None, category, module, 0);
}

static int warnings_init(void)
{
    WarningsState *s = warnings_state();
    if (s->filters) return 0;
    PyObject *items[] = {
        filter_new(PyExc_DeprecationWarning, "default", "__main__"), filter_new(PyExc_DeprecationWarning, "ignore", NULL),
        filter_new(PyExc_PendingDeprecationWarning, "ignore", NULL), filter_new(PyExc_ImportWarning, "ignore", NULL),
        filter_new(PyExc_ResourceWarning, "ignore", NULL),
    };
    PyObject *filters = PyList_New(5);
    bool failed = !filters;
    for (int i = 0; i < 5; i++) {
        if (!items[i]) failed = true;
        if (filters) PyList_SET_ITEM(filters, i, items[i]);
        else Py_XDECREF(items[i]);
    }
    if (failed) {
        Py_XDECREF(filters);
        return -1;
    }
    s->filters = filters;
    s->filters_version = 0;
    if (!s->once_registry && !(s->once_registry = PyDict_New())) return -1;
    if (!s->default_action && !(s->default_action = PyUnicode_InternFromString("default"))) return -1;
    return 0;
}

/* An attribute of the library's module. New reference; NULL without exception when there is no such module. */
static PyObject *library_attribute(PyObject *name, bool import)
{
    PyObject *module, *value = NULL;
    if (import && !Py_IsFinalizing()) {
        module = PyImport_Import(STR(warnings));
        if (!module) {
            if (PyErr_ExceptionMatches(PyExc_ImportError)) PyErr_Clear();
            return NULL;
        }
    }
    else {
        if (!interp_get()->runtime.modules) return NULL;
        module = PyImport_GetModule(STR(warnings));
        if (!module) return NULL;
    }
    PyObject_GetOptionalAttr(module, name, &value);
    Py_DECREF(module);
    return value;
}

static PyObject *get_once_registry(void)        /* borrowed */
{
    WarningsState *s = warnings_state();
    PyObject *registry = library_attribute(STR(onceregistry), false);
    if (!registry) return PyErr_Occurred() ? NULL : s->once_registry;
    if (!PyDict_Check(registry)) {
        PyErr_Format(PyExc_TypeError, "_warnings.onceregistry must be a dict, not '%.200s'", Py_TYPE(registry)->tp_name);
        Py_DECREF(registry);
        return NULL;
    }
    Py_SETREF(s->once_registry, registry);
    return registry;
}

static PyObject *get_default_action(void)       /* borrowed */
{
    WarningsState *s = warnings_state();
    PyObject *action = library_attribute(STR(defaultaction), false);
    if (!action) return PyErr_Occurred() ? NULL : s->default_action;
    if (!PyUnicode_Check(action)) {
        PyErr_Format(PyExc_TypeError, "_warnings.defaultaction must be a string, not '%.200s'", Py_TYPE(action)->tp_name);
        Py_DECREF(action);
        return NULL;
    }
    Py_SETREF(s->default_action, action);
    return action;
}

/* ---- filters ---------------------------------------------------------------------------------------------------- */

static int pattern_matches(PyObject *pattern, PyObject *text)
{
    if (pattern == Py_None) return 1;
    if (PyUnicode_CheckExact(pattern)) {
        int order = PyUnicode_Compare(pattern, text);
        return order == -1 && PyErr_Occurred() ? -1 : order == 0;
    }
    PyObject *result = PyObject_CallMethod(pattern, "match", "O", text);
    if (!result) return -1;
    int truth = PyObject_IsTrue(result);
    Py_DECREF(result);
    return truth;
}

/* The action for a warning, borrowed from *item (a new reference) or the state. NULL with an exception. */
static PyObject *find_action(PyObject *category, PyObject *text, Py_ssize_t lineno, PyObject *module, PyObject **item)
{
    WarningsState *s = warnings_state();
    PyObject *filters = library_attribute(STR(filters), false);
    if (!filters && PyErr_Occurred()) return NULL;
    if (filters) Py_XSETREF(s->filters, filters);
    filters = s->filters;
    if (!filters || !PyList_Check(filters)) {
        PyErr_SetString(PyExc_ValueError, "_warnings.filters must be a list");
        return NULL;
    }
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(filters); i++) {
        PyObject *entry = PyList_GET_ITEM(filters, i);
        if (!PyTuple_Check(entry) || PyTuple_GET_SIZE(entry) != 5) {
            PyErr_Format(PyExc_ValueError, "_warnings.filters item %zd isn't a 5-tuple", i);
            return NULL;
        }
        Py_INCREF(entry);
        PyObject *action = PyTuple_GET_ITEM(entry, 0);
        if (!PyUnicode_Check(action)) {
            PyErr_Format(PyExc_TypeError, "action must be a string, not '%.200s'", Py_TYPE(action)->tp_name);
            Py_DECREF(entry);
            return NULL;
        }
        int good_text = pattern_matches(PyTuple_GET_ITEM(entry, 1), text);
        int good_module = good_text < 0 ? -1 : pattern_matches(PyTuple_GET_ITEM(entry, 3), module);
        int good_class = good_module < 0 ? -1 : PyObject_IsSubclass(category, PyTuple_GET_ITEM(entry, 2));
        Py_ssize_t line = good_class < 0 ? -1 : PyLong_AsSsize_t(PyTuple_GET_ITEM(entry, 4));
        if (good_class < 0 || (line == -1 && PyErr_Occurred())) {
            Py_DECREF(entry);
            return NULL;
        }
        if (good_class && (line == 0 || lineno == line) && good_text && good_module) {
            *item = entry;
            return action;
        }
        Py_DECREF(entry);
    }
    PyObject *action = get_default_action();
    if (action) *item = Py_NewRef(action);
    return action;
}

/* 1: shown before; 0; -1. A registry made under other filters is emptied first. */
static int already_warned(PyObject *registry, PyObject *key, bool set)
{
    WarningsState *s = warnings_state();
    PyObject *known = NULL, *version = NULL;
    if (!key) return -1;
    PyObject *name = STR(version);
    if (PyDict_GetItemRef(registry, name, &version) < 0) return -1;
    bool current = version && PyLong_CheckExact(version) && PyLong_AsLong(version) == s->filters_version;
    Py_XDECREF(version);
    if (!current) {
        if (PyErr_Occurred()) return -1;
        PyDict_Clear(registry);
        PyObject *number = PyLong_FromLong(s->filters_version);
        int status = number ? PyDict_SetItem(registry, name, number) : -1;
        Py_XDECREF(number);
        if (status < 0) return -1;
    }
    else {
        if (PyDict_GetItemRef(registry, key, &known) < 0) return -1;
        int truth = known ? PyObject_IsTrue(known) : 0;
        Py_XDECREF(known);
        if (truth) return truth;
    }
    return set ? PyDict_SetItem(registry, key, Py_True) : 0;
}

static int update_registry(PyObject *registry, PyObject *text, PyObject *category, bool with_zero)
{
    PyObject *key = with_zero ? PyTuple_Pack(3, text, category, SMALL_INT(0)) : PyTuple_Pack(2, text, category);
    int status = already_warned(registry, key, true);
    Py_XDECREF(key);
    return status;
}

/* "package/module.py" -> "package/module"; <unknown> when empty. New reference. */
static PyObject *normalize_module(PyObject *filename)
{
    Py_ssize_t length = PyUnicode_GET_LENGTH(filename);
    if (length == 0) return PyUnicode_FromString("<unknown>");
    if (length >= 3 && PyUnicode_READ_CHAR(filename, length - 3) == '.' && PyUnicode_READ_CHAR(filename, length - 2) == 'p' &&
        PyUnicode_READ_CHAR(filename, length - 1) == 'y')
        return PyUnicode_Substring(filename, 0, length - 3);
    return Py_NewRef(filename);
}

/* ---- showing ---------------------------------------------------------------------------------------------------- */

static void show_plain(PyObject *filename, int lineno, PyObject *text, PyObject *category, PyObject *source_line)
{
    PyObject *file = sys_get(STR(stderr)), *modules = interp_get()->runtime.modules, *name = NULL;
    if (!file) {
        fprintf(stderr, "lost sys.stderr\n");
        return;
    }
    if (file == Py_None) return;
    Py_INCREF(file);
    PyObject *head = NULL, *line = NULL;
    name = PyObject_GetAttr(category, STR(__name__));
    if (name) head = PyUnicode_FromFormat("%U:%d: %U: %U\n", filename, lineno, name, text);
    if (!head || PyFile_WriteObject(head, file, Py_PRINT_RAW) < 0) goto done;
    /* at the very end there are no modules left to open a file with */
    if (source_line) line = Py_NewRef(source_line);
    else if (modules && (!PyDict_Check(modules) || PyDict_GET_SIZE(modules))) line = PyErr_ProgramTextObject(filename, lineno);
    if (!line) goto done;
    Py_ssize_t start = 0, end = PyUnicode_GET_LENGTH(line);
    while (start < end && Py_UNICODE_ISSPACE(PyUnicode_READ_CHAR(line, start))) start++;
    while (end > start && Py_UNICODE_ISSPACE(PyUnicode_READ_CHAR(line, end - 1))) end--;
    Py_SETREF(line, PyUnicode_Substring(line, start, end));
    PyObject *shown = line ? PyUnicode_FromFormat("  %U\n", line) : NULL;
    if (shown) PyFile_WriteObject(shown, file, Py_PRINT_RAW);
    Py_XDECREF(shown);
done:
    Py_XDECREF(name);
    Py_XDECREF(head);
    Py_XDECREF(line);
    Py_DECREF(file);
    PyErr_Clear();
}

static int show_warning(PyObject *category, PyObject *text, PyObject *message, PyObject *filename, int lineno, PyObject *line_object,
                        PyObject *source_line, PyObject *source)
{
    PyObject *show = library_attribute(STR(_showwarnmsg), source != NULL);
    if (!show) {
        if (PyErr_Occurred()) return -1;
        show_plain(filename, lineno, text, category, source_line);
        return 0;
    }
    int status = -1;
    PyObject *class = NULL, *record = NULL, *result = NULL;
    if (!PyCallable_Check(show)) {
        PyErr_SetString(PyExc_TypeError, "warnings._showwarnmsg() must be set to a callable");
        goto done;
    }
    class = library_attribute(STR(WarningMessage), false);
    if (!class) {
        if (!PyErr_Occurred()) PyErr_SetString(PyExc_RuntimeError, "unable to get warnings.WarningMessage");
        goto done;
    }
    record = PyObject_CallFunctionObjArgs(class, message, category, filename, line_object, Py_None, Py_None, source, NULL);
    if (!record) goto done;
    result = PyObject_CallOneArg(show, record);
    if (result) status = 0;
done:
    Py_XDECREF(show);
    Py_XDECREF(class);
    Py_XDECREF(record);
    Py_XDECREF(result);
    return status;
}

/* ---- the decision ----------------------------------------------------------------------------------------------- */

static PyObject *warn_explicit(PyObject *category, PyObject *message, PyObject *filename, int lineno, PyObject *module,
                               PyObject *registry, PyObject *source_line, PyObject *source)
{
    PyObject *key = NULL, *text = NULL, *result = NULL, *line_object = NULL, *item = NULL, *action;
    if (warnings_init() < 0) return NULL;
    if (module == Py_None) Py_RETURN_NONE;      /* shut-down: globals are gone */
    if (registry && !PyDict_Check(registry) && registry != Py_None) {
        PyErr_SetString(PyExc_TypeError, "'registry' must be a dict or None");
        return NULL;
    }
    if (registry == Py_None) registry = NULL;
    Py_INCREF(message);
    module = module ? Py_NewRef(module) : normalize_module(filename);
    if (!module) goto done;
    int is_warning = PyObject_IsInstance(message, PyExc_Warning);
    if (is_warning < 0) goto done;
    if (is_warning) {
        if (!(text = PyObject_Str(message))) goto done;
        category = (PyObject *)Py_TYPE(message);
    }
    else {
        text = message;
        if (!(message = PyObject_CallOneArg(category, message))) goto done;
    }
    if (!(line_object = PyLong_FromLong(lineno))) goto done;
    if (source == Py_None) source = NULL;
    if (!(key = PyTuple_Pack(3, text, category, line_object))) goto done;
    if (registry) {
        int known = already_warned(registry, key, false);
        if (known < 0) goto done;
        if (known) { result = Py_None; goto done; }
    }
    if (!(action = find_action(category, text, lineno, module, &item))) goto done;
    if (PyUnicode_EqualToUTF8(action, "error")) {
        PyErr_SetObject(category, message);
        goto done;
    }
    if (PyUnicode_EqualToUTF8(action, "ignore")) { result = Py_None; goto done; }
    int known = 0;
    if (!PyUnicode_EqualToUTF8(action, "always")) {
        if (registry && PyDict_SetItem(registry, key, Py_True) < 0) goto done;
        if (PyUnicode_EqualToUTF8(action, "once")) {
            if (!registry && !(registry = get_once_registry())) goto done;
            known = update_registry(registry, text, category, false);
        }
        else if (PyUnicode_EqualToUTF8(action, "module")) {
            if (registry) known = update_registry(registry, text, category, false);
        }
        else if (!PyUnicode_EqualToUTF8(action, "default")) {
            PyErr_Format(PyExc_RuntimeError, "Unrecognized action (%R) in warnings.filters:\n %R", action, item);
            goto done;
        }
    }
    if (known < 0) goto done;
    if (known == 0 && show_warning(category, text, message, filename, lineno, line_object, source_line, source) < 0) goto done;
    result = Py_None;
done:
    Py_XDECREF(item);
    Py_XDECREF(key);
    Py_XDECREF(text);
    Py_XDECREF(line_object);
    Py_XDECREF(module);
    Py_XDECREF(message);
    return Py_XNewRef(result);
}

/* ---- the place -------------------------------------------------------------------------------------------------- */

static bool is_internal_filename(PyObject *name)
{
    if (!name || !PyUnicode_Check(name)) return false;
    return PyUnicode_Contains(name, STR(importlib)) > 0 && PyUnicode_Contains(name, STR(_bootstrap)) > 0;
}

static bool frame_is_skipped(PyFrameObject *frame, PyObject *prefixes, bool prefixes_only)
{
    PyCodeObject *code = PyFrame_GetCode(frame);
    PyObject *name = code->co_filename;
    bool skip = !prefixes_only && is_internal_filename(name);
    if (!skip && prefixes && name && PyUnicode_Check(name)) {
        for (Py_ssize_t i = 0; !skip && i < PyTuple_GET_SIZE(prefixes); i++) {
            PyObject *prefix = PyTuple_GET_ITEM(prefixes, i);
            if (PyUnicode_Check(prefix) && PyUnicode_Tailmatch(name, prefix, 0, PY_SSIZE_T_MAX, -1) == 1) skip = true;
        }
    }
    Py_DECREF(code);
    return skip;
}

static PyFrameObject *frame_step(PyFrameObject *frame)          /* steals */
{
    PyFrameObject *back = PyFrame_GetBack(frame);
    Py_DECREF(frame);
    return back;
}

static PyFrameObject *next_external_frame(PyFrameObject *frame, PyObject *prefixes)
{
    do frame = frame_step(frame); while (frame && frame_is_skipped(frame, prefixes, false));
    return frame;
}

/* Where the warning belongs: new references in all of them, *lineno. 0 / -1. */
static int find_context(Py_ssize_t level, PyObject *prefixes, PyObject **filename, int *lineno, PyObject **module, PyObject **registry)
{
    PyThreadState *ts = PyThreadState_Get();
    PyFrameObject *frame = PyThreadState_GetFrame(ts);
    PyObject *globals;
    *filename = *module = *registry = NULL;
    if (level <= 0 || (frame && frame_is_skipped(frame, NULL, false)))
        while (--level > 0 && frame) frame = frame_step(frame);
    else while (--level > 0 && frame) frame = next_external_frame(frame, prefixes);
    if (!frame) {
        if (PyErr_Occurred()) return -1;                   /* no memory for a frame object */
        globals = Py_XNewRef(ts->interp->runtime.sysdict);
        *filename = PyUnicode_FromString("<sys>");
        *lineno = 0;
    }
    else {
        globals = PyFrame_GetGlobals(frame);
        PyCodeObject *code = PyFrame_GetCode(frame);
        *filename = Py_NewRef(code->co_filename);
        Py_DECREF(code);
        *lineno = PyFrame_GetLineNumber(frame);
        Py_DECREF(frame);
    }
    if (!globals || !*filename) goto error;
    if (PyDict_GetItemRef(globals, STR(__warningregistry__), registry) < 0) goto error;
    if (!*registry) {
        if (!(*registry = PyDict_New()) || PyDict_SetItem(globals, STR(__warningregistry__), *registry) < 0) goto error;
    }
    if (PyDict_GetItemRef(globals, STR(__name__), module) < 0) goto error;
    if (!*module || !(*module == Py_None || PyUnicode_Check(*module))) {
        Py_XSETREF(*module, PyUnicode_FromString("<string>"));
        if (!*module) goto error;
    }
    Py_DECREF(globals);
    return 0;
error:
    Py_XDECREF(globals);
    Py_CLEAR(*filename);
    Py_CLEAR(*module);
    Py_CLEAR(*registry);
    return -1;
}

static PyObject *category_of(PyObject *message, PyObject *category)      /* borrowed */
{
    int is_warning = PyObject_IsInstance(message, PyExc_Warning);
    if (is_warning < 0) return NULL;
    if (is_warning) category = (PyObject *)Py_TYPE(message);
    else if (!category || category == Py_None) category = PyExc_UserWarning;
    int good = PyType_Check(category) ? PyObject_IsSubclass(category, PyExc_Warning) : 0;
    if (good < 0) return NULL;
    if (good) return category;
    PyErr_Format(PyExc_TypeError, "category must be a Warning subclass, not '%s'", Py_TYPE(category)->tp_name);
    return NULL;
}

static PyObject *do_warn(PyObject *message, PyObject *category, Py_ssize_t level, PyObject *source, PyObject *prefixes)
{
    PyObject *filename, *module, *registry;
    int lineno;
    if (warnings_init() < 0 || find_context(level, prefixes, &filename, &lineno, &module, &registry) < 0) return NULL;
    PyObject *result = warn_explicit(category, message, filename, lineno, module, registry, NULL, source);
    Py_DECREF(filename);
    Py_DECREF(module);
    Py_DECREF(registry);
    return result;
}

/* ---- functions -------------------------------------------------------------------------------------------------- */

BUILTIN(warnings, warn, KEYWORDS, "($module, /, message, category=None, stacklevel=1, source=None, *,\n     skip_file_prefixes=<unrepresentable>)",
        "Issue a warning, or maybe ignore it or raise an exception.\n\n"
        "  message\n    Text of the warning message.\n"
        "  category\n    The Warning category subclass. Defaults to UserWarning.\n"
        "  stacklevel\n    How far up the call stack to make this warning appear. A value of 2 for\n"
        "    example attributes the warning to the caller of the code calling warn().\n"
        "  source\n    If supplied, the destroyed object which emitted a ResourceWarning\n"
        "  skip_file_prefixes\n    An optional tuple of module filename prefixes indicating frames to skip\n"
        "    during stacklevel computations for stack frame attribution.")
{
    Py_ssize_t level = 1;
    PyObject *category = category_of(arg[0], arg[1]), *prefixes = arg[4];
    if (arg[2]) {
        PyObject *index = PyNumber_Index(arg[2]);
        if (!index) return NULL;
        level = PyLong_AsSsize_t(index);
        Py_DECREF(index);
        if (level == -1 && PyErr_Occurred()) return NULL;
    }
    if (!category) return NULL;
    if (prefixes) {
        if (!PyTuple_Check(prefixes)) {
            PyErr_Format(PyExc_TypeError, "warn() argument 'skip_file_prefixes' must be tuple, not %.50s", Py_TYPE(prefixes)->tp_name);
            return NULL;
        }
        for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(prefixes); i++) {
            if (PyUnicode_Check(PyTuple_GET_ITEM(prefixes, i))) continue;
            PyErr_Format(PyExc_TypeError, "Found non-str '%s' in skip_file_prefixes.", Py_TYPE(PyTuple_GET_ITEM(prefixes, i))->tp_name);
            return NULL;
        }
        if (!PyTuple_GET_SIZE(prefixes)) prefixes = NULL;
        else if (level < 2) level = 2;
    }
    return do_warn(arg[0], category, level, arg[3], prefixes);
}

/* A line of a module's source, from its loader. New reference; NULL with or without an exception. */
static PyObject *source_line_of(PyObject *globals, int lineno)
{
    PyObject *importlib = interp_get()->runtime.importlib, *loader = NULL, *name = NULL, *get_source = NULL, *source = NULL, *lines = NULL, *line = NULL;
    PyObject *external = importlib ? PyObject_GetAttrString(importlib, "_bootstrap_external") : NULL;
    if (!external) {
        PyErr_Clear();
        return NULL;
    }
    loader = PyObject_CallMethod(external, "_bless_my_loader", "O", globals);
    Py_DECREF(external);
    if (!loader) return NULL;
    if (PyDict_GetItemRef(globals, STR(__name__), &name) < 0 || !name) goto done;
    if (PyObject_GetOptionalAttrString(loader, "get_source", &get_source) < 0 || !get_source) goto done;
    if (!(source = PyObject_CallOneArg(get_source, name)) || source == Py_None) goto done;
    if (!(lines = PyUnicode_Splitlines(source, 0))) goto done;
    if (lineno >= 1 && lineno <= PyList_GET_SIZE(lines)) line = Py_NewRef(PyList_GET_ITEM(lines, lineno - 1));
done:
    Py_XDECREF(loader);
    Py_XDECREF(name);
    Py_XDECREF(get_source);
    Py_XDECREF(source);
    Py_XDECREF(lines);
    return line;
}

BUILTIN(warnings, warn_explicit, KEYWORDS,
        "($module, /, message, category, filename, lineno,\n              module=<unrepresentable>, registry=None,\n              module_globals=None, source=None)",
        "Issue a warning, or maybe ignore it or raise an exception.")
{
    PyObject *line = NULL;
    if (!PyUnicode_Check(arg[2])) {
        PyErr_Format(PyExc_TypeError, "warn_explicit() argument 'filename' must be str, not %.50s", arg[2] == Py_None ? "None" : Py_TYPE(arg[2])->tp_name);
        return NULL;
    }
    int lineno = PyLong_AsInt(arg[3]);
    if (lineno == -1 && PyErr_Occurred()) return NULL;
    if (arg[6] && arg[6] != Py_None) {
        if (!PyDict_Check(arg[6])) {
            PyErr_Format(PyExc_TypeError, "module_globals must be a dict, not '%.200s'", Py_TYPE(arg[6])->tp_name);
            return NULL;
        }
        line = source_line_of(arg[6], lineno);
        if (!line && PyErr_Occurred()) return NULL;
    }
    PyObject *result = warn_explicit(arg[1], arg[0], arg[2], lineno, arg[4], arg[5], line, arg[7]);
    Py_XDECREF(line);
    return result;
}

BUILTIN_NOARGS(warnings, _filters_mutated, "($module, /)", "")
{
    warnings_state()->filters_version++;
    Py_RETURN_NONE;
}

/* ---- the C API -------------------------------------------------------------------------------------------------- */

static int warn_text(PyObject *category, PyObject *text, Py_ssize_t level, PyObject *source)
{
    PyObject *result = do_warn(text, category ? category : PyExc_RuntimeWarning, level, source, NULL);
    Py_XDECREF(result);
    return result ? 0 : -1;
}

int PyErr_WarnEx(PyObject *category, const char *text, Py_ssize_t level)
{
    PyObject *message = PyUnicode_FromString(text);
    int status = message ? warn_text(category, message, level, NULL) : -1;
    Py_XDECREF(message);
    return status;
}

static int warn_formatted(PyObject *source, PyObject *category, Py_ssize_t level, const char *format, va_list list)
{
    PyObject *message = PyUnicode_FromFormatV(format, list);
    int status = message ? warn_text(category, message, level, source) : -1;
    Py_XDECREF(message);
    return status;
}

int PyErr_WarnFormat(PyObject *category, Py_ssize_t level, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    int status = warn_formatted(NULL, category, level, format, list);
    va_end(list);
    return status;
}

int PyErr_ResourceWarning(PyObject *source, Py_ssize_t level, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    int status = warn_formatted(source, PyExc_ResourceWarning, level, format, list);
    va_end(list);
    return status;
}

int PyErr_WarnExplicitObject(PyObject *category, PyObject *message, PyObject *filename, int lineno, PyObject *module, PyObject *registry)
{
    PyObject *result = warn_explicit(category ? category : PyExc_RuntimeWarning, message, filename, lineno, module, registry, NULL, NULL);
    Py_XDECREF(result);
    return result ? 0 : -1;
}

int PyErr_WarnExplicit(PyObject *category, const char *text, const char *filename, int lineno, const char *module, PyObject *registry)
{
    PyObject *message = PyUnicode_FromString(text), *file = PyUnicode_DecodeFSDefault(filename), *name = NULL;
    int status = -1;
    if (message && file && (!module || (name = PyUnicode_FromString(module))))
        status = PyErr_WarnExplicitObject(category, message, file, lineno, name, registry);
    Py_XDECREF(message);
    Py_XDECREF(file);
    Py_XDECREF(name);
    return status;
}

int PyErr_WarnExplicitFormat(PyObject *category, const char *filename, int lineno, const char *module, PyObject *registry,
                             const char *format, ...)
{
    va_list list;
    va_start(list, format);
    PyObject *message = PyUnicode_FromFormatV(format, list), *file = PyUnicode_DecodeFSDefault(filename), *name = NULL;
    va_end(list);
    int status = -1;
    if (message && file && (!module || (name = PyUnicode_FromString(module))))
        status = PyErr_WarnExplicitObject(category, message, file, lineno, name, registry);
    Py_XDECREF(message);
    Py_XDECREF(file);
    Py_XDECREF(name);
    return status;
}

/* A coroutine that was never awaited: warnings._warn_unawaited_coroutine knows how to say it. */
void warn_unawaited_coroutine(PyObject *coroutine)
{
    PyObject *name = PyUnicode_InternFromString("_warn_unawaited_coroutine");
    PyObject *function = name ? library_attribute(name, true) : NULL;
    bool warned = false;
    Py_XDECREF(name);
    if (function) {
        PyObject *result = PyObject_CallOneArg(function, coroutine);
        if (result || PyErr_ExceptionMatches(PyExc_RuntimeWarning)) warned = true;
        Py_DECREF(function);
        Py_XDECREF(result);
    }
    if (PyErr_Occurred()) PyErr_WriteUnraisable(coroutine);
    if (!warned) {
        PyObject *qualname = PyObject_GetAttr(coroutine, STR(__qualname__));
        if (!qualname || PyErr_WarnFormat(PyExc_RuntimeWarning, 1, "coroutine '%S' was never awaited", qualname) < 0)
            PyErr_WriteUnraisable(coroutine);
        Py_XDECREF(qualname);
    }
}

/* ---- the module ------------------------------------------------------------------------------------------------- */

static PyMethodDef warnings_methods[] = {
    METHOD(warnings, warn), METHOD(warnings, warn_explicit), METHOD(warnings, _filters_mutated), {0}
};

static int warnings_exec(PyObject *module)
{
    WarningsState *s = warnings_state();
    if (warnings_init() < 0) return -1;
    return PyModule_AddObjectRef(module, "filters", s->filters) < 0 || PyModule_AddObjectRef(module, "_onceregistry", s->once_registry) < 0 ||
           PyModule_AddObjectRef(module, "_defaultaction", s->default_action) < 0 ? -1 : 0;
}

static PyModuleDef_Slot warnings_slots[] = {
    {Py_mod_exec, (void *)warnings_exec}, {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED}, {0, NULL}
};

static PyModuleDef warnings_module = {
    PyModuleDef_HEAD_INIT, .m_name = "_warnings", .m_doc = "Basic filtering of warnings, for the warnings module and for C code.",
    .m_size = 0, .m_methods = warnings_methods, .m_slots = warnings_slots,
};

PyMODINIT_FUNC PyInit__warnings(void) { return PyModuleDef_Init(&warnings_module); }
