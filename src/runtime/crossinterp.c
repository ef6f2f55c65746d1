/* Interpreters seen from one another (crossinterp.h). */
#include "runtime/crossinterp.h"
#include "objects/namespace.h"
#include "runtime/runtime_private.h"
#include "runtime/state.h"

#include <stdlib.h>
#include <string.h>

#define P (&_PyRuntime.runtime)

/* ---- exceptions ------------------------------------------------------------------------------------------------- */

/* One class an interpreter and name, kept with the interpreter's small things. BORROWED. */
static PyObject *error_class(const char *name, const char *doc, PyObject *base)
{
    RuntimeState *r = &interp_get()->runtime;
    if (!base || (!r->extra && !(r->extra = PyDict_New()))) return NULL;
    PyObject *key = PyUnicode_FromFormat("interpreters.%s", name), *class = key ? PyDict_GetItemWithError(r->extra, key) : NULL;
    if (key && !class && !PyErr_Occurred()) {
        const char *full = PyUnicode_AsUTF8(key);
        class = full ? PyErr_NewExceptionWithDoc(full, doc, base, NULL) : NULL;
        if (class) {
            int status = PyDict_SetItem(r->extra, key, class);
            Py_DECREF(class);
            if (status < 0) class = NULL;
        }
    }
    Py_XDECREF(key);
    return class;
}

PyObject *crossinterp_error(void) { return error_class("InterpreterError", "A cross-interpreter operation failed", PyExc_Exception); }
PyObject *crossinterp_not_shareable_error(void) { return error_class("NotShareableError", NULL, PyExc_ValueError); }

PyObject *crossinterp_not_found_error(void)
{
    return error_class("InterpreterNotFoundError", "An interpreter was not found", crossinterp_error());
}

static void set_error(const char *message)
{
    PyObject *class = crossinterp_error();
    if (class) PyErr_SetString(class, message);
}

/* ---- by number -------------------------------------------------------------------------------------------------- */

int64_t crossinterp_id(PyObject *o)
{
    if (!PyIndex_Check(o)) {
        PyErr_Format(PyExc_TypeError, "interpreter ID must be an int, got %.100s", Py_TYPE(o)->tp_name);
        return -1;
    }
    PyObject *index = PyNumber_Index(o);
    if (!index) return -1;
    int overflow;
    long long id = PyLong_AsLongLongAndOverflow(index, &overflow);
    Py_DECREF(index);
    if (id == -1 && PyErr_Occurred()) return -1;
    if (overflow > 0) PyErr_SetString(PyExc_OverflowError, "int too big to convert");
    else if (overflow < 0 || id < 0) PyErr_Format(PyExc_ValueError, "interpreter ID must be a non-negative int, got %R", o);
    else return id;
    return -1;
}

/* NULL with InterpreterNotFoundError. */
static Interpreter *crossinterp_lookup(int64_t id)
{
    lists_lock();
    Interpreter *interp = P->interpreters;
    while (interp && interp->runtime.id != id) interp = interp->runtime.next;
    lists_unlock();
    if (interp) return interp;
    PyObject *class = crossinterp_not_found_error();
    if (class) PyErr_Format(class, "unrecognized interpreter ID %lld", (long long)id);
    return NULL;
}

Interpreter *crossinterp_lookup_object(PyObject *o)
{
    int64_t id = crossinterp_id(o);
    return id < 0 ? NULL : crossinterp_lookup(id);
}

void crossinterp_incref(Interpreter *interp)
{
    lists_lock();
    if (interp->runtime.id_refcount < 0) interp->runtime.id_refcount = 0;
    interp->runtime.id_refcount++;
    lists_unlock();
}

void crossinterp_decref(Interpreter *interp)
{
    lists_lock();
    int64_t left = interp->runtime.id_refcount > 0 ? --interp->runtime.id_refcount : interp->runtime.id_refcount;
    lists_unlock();
    if (left != 0 || !interp->runtime.require_idref) return;
    PyObject *pending = PyErr_GetRaisedException();
    if (crossinterp_end(interp) < 0) PyErr_FormatUnraisable("Exception ignored on ending an interpreter without references");
    PyErr_SetRaisedException(pending);
}

/* ---- settings ---------------------------------------------------------------------------------------------------- */

#define SWITCHES(DO) \
    DO(use_main_obmalloc) DO(allow_fork) DO(allow_exec) DO(allow_threads) DO(allow_daemon_threads) DO(check_multi_interp_extensions)

static const char *const gil_names[] = {
    [PyInterpreterConfig_DEFAULT_GIL] = "default", [PyInterpreterConfig_SHARED_GIL] = "shared", [PyInterpreterConfig_OWN_GIL] = "own",
};

int crossinterp_config_named(PyInterpreterConfig *config, const char *name)
{
    if (!name || !*name || strcmp(name, "default") == 0 || strcmp(name, "isolated") == 0)
        *config = (PyInterpreterConfig)_PyInterpreterConfig_INIT;
    else if (strcmp(name, "legacy") == 0) *config = (PyInterpreterConfig)_PyInterpreterConfig_LEGACY_INIT;
    else if (strcmp(name, "empty") == 0) *config = (PyInterpreterConfig){ 0 };
    else {
        PyErr_Format(PyExc_ValueError, "unsupported config name '%s'", name);
        return -1;
    }
    return 0;
}

/* Takes the item out of the dict: 1, 0 when it is not there and need not be, -1. */
static int config_take(PyObject *dict, const char *name, bool required, PyObject **value)
{
    if (PyDict_PopString(dict, name, value) < 0) return -1;
    if (*value) return 1;
    if (!required) return 0;
    PyErr_Format(PyExc_ValueError, "missing config key: %s", name);
    return -1;
}

static int config_take_switch(PyObject *dict, const char *name, bool required, int *flag)
{
    PyObject *value;
    int found = config_take(dict, name, required, &value);
    if (found <= 0) return found;
    bool right = PyBool_Check(value);
    if (right) *flag = value == Py_True;
    else PyErr_Format(PyExc_TypeError, "invalid config type: %s", name);
    Py_DECREF(value);
    return right ? 0 : -1;
}

static int config_take_gil(PyObject *dict, bool required, int *gil)
{
    PyObject *value;
    int found = config_take(dict, "gil", required, &value);
    if (found <= 0) return found;
    int status = -1;
    const char *text = PyUnicode_Check(value) ? PyUnicode_AsUTF8(value) : NULL;
    if (!text) {
        if (!PyErr_Occurred()) PyErr_SetString(PyExc_TypeError, "invalid config type: gil");
    }
    else {
        for (size_t i = 0; i < ARRAY_LENGTH(gil_names); i++)
            if (strcmp(text, gil_names[i]) == 0) *gil = (int)i, status = 0;
        if (status < 0) PyErr_Format(PyExc_ValueError, "unsupported interpreter config .gil value '%s'", text);
    }
    Py_DECREF(value);
    return status;
}

int crossinterp_config_update(PyInterpreterConfig *config, PyObject *given, bool required)
{
    PyObject *dict = PyDict_New();
    int status = -1;
    if (!dict || PyDict_Update(dict, given) < 0) goto done;
#define TAKE(name) if (config_take_switch(dict, #name, required, &config->name) < 0) goto done;
    SWITCHES(TAKE)
#undef TAKE
    if (config_take_gil(dict, required, &config->gil) < 0) goto done;
    Py_ssize_t extra = PyDict_GET_SIZE(dict);
    if (extra == 0) status = 0;
    else if (extra == 1) PyErr_Format(PyExc_ValueError, "config dict has 1 extra item (%R)", dict);
    else PyErr_Format(PyExc_ValueError, "config dict has %d extra items (%R)", (int)extra, dict);
done:
    Py_XDECREF(dict);
    return status;
}

int crossinterp_config_from_object(PyInterpreterConfig *config, PyObject *object, const char *default_name)
{
    if (!object || object == Py_None) return crossinterp_config_named(config, default_name);
    if (PyUnicode_Check(object)) {
        const char *name = PyUnicode_AsUTF8(object);
        return name ? crossinterp_config_named(config, name) : -1;
    }
    PyObject *dict;
    if (PyObject_GetOptionalAttr(object, STR(__dict__), &dict) < 0) return -1;
    if (!dict) {
        PyErr_Format(PyExc_TypeError, "bad config %R", object);
        return -1;
    }
    *config = (PyInterpreterConfig){ 0 };
    int status = crossinterp_config_update(config, dict, true);
    Py_DECREF(dict);
    return status;
}

static int add_stolen(PyObject *dict, const char *name, PyObject *value)
{
    int status = value ? PyDict_SetItemString(dict, name, value) : -1;
    Py_XDECREF(value);
    return status;
}

PyObject *crossinterp_config_namespace(const PyInterpreterConfig *config)
{
    PyObject *dict = PyDict_New(), *namespace = NULL;
    if (!dict) return NULL;
#define ADD(name) if (add_stolen(dict, #name, PyBool_FromLong(config->name)) < 0) goto done;
    SWITCHES(ADD)
#undef ADD
    if (config->gil < 0 || config->gil >= (int)ARRAY_LENGTH(gil_names)) PyErr_SetString(PyExc_ValueError, "invalid interpreter config 'gil' value");
    else if (add_stolen(dict, "gil", PyUnicode_FromString(gil_names[config->gil])) == 0) namespace = _PyNamespace_New(dict);
done:
    Py_DECREF(dict);
    return namespace;
}

void crossinterp_config_of(Interpreter *interp, PyInterpreterConfig *config)
{
    unsigned long flags = interp->runtime.feature_flags;
    bool own = interp->runtime.gil == &interp->runtime.own_gil || interp == P->main_interpreter;
    *config = (PyInterpreterConfig){
        .use_main_obmalloc = !!(flags & FEATURE_OBMALLOC), .allow_fork = !!(flags & FEATURE_FORK), .allow_exec = !!(flags & FEATURE_EXEC),
        .allow_threads = !!(flags & FEATURE_THREADS), .allow_daemon_threads = !!(flags & FEATURE_DAEMON_THREADS),
        .check_multi_interp_extensions = !!(flags & FEATURE_MULTI_INTERP),
        .gil = own ? PyInterpreterConfig_OWN_GIL : PyInterpreterConfig_SHARED_GIL,
    };
}

/* ---- life ----------------------------------------------------------------------------------------------------------- */

/* InterpreterError "interpreter creation failed" in the context of what Py_NewInterpreterFromConfig says. */
static void creation_failed(const char *reason)
{
    PyErr_SetString(PyExc_RuntimeError, reason);
    PyObject *context = PyErr_GetRaisedException();
    set_error("interpreter creation failed");
    PyObject *error = PyErr_GetRaisedException();
    if (PyObject_TypeCheck(error, (PyTypeObject *)PyExc_BaseException)) PyException_SetContext(error, context);
    else Py_DECREF(context);
    PyErr_SetRaisedException(error);
}

Interpreter *crossinterp_new(const PyInterpreterConfig *config, int whence)
{
    PyThreadState *own = PyThreadState_Get(), *theirs = NULL;
    PyStatus status = Py_NewInterpreterFromConfig(&theirs, config);
    if (PyStatus_Exception(status)) {
        PyThreadState_Swap(own);
        creation_failed(status.err_msg ? status.err_msg : "sub-interpreter creation failed");
        return NULL;
    }
    Interpreter *interp = theirs->interp;
    interp->runtime.whence = whence;
    PyThreadState_Clear(theirs);
    PyThreadState_Swap(own);
    PyThreadState_Delete(theirs);
    return interp;
}

int crossinterp_end(Interpreter *interp)
{
    PyThreadState *theirs = PyThreadState_New(interp);
    if (!theirs) {
        PyErr_NoMemory();
        return -1;
    }
    PyThreadState *own = PyThreadState_Swap(theirs);
    Py_EndInterpreter(theirs);
    PyThreadState_Swap(own);
    return 0;
}

/* ---- exceptions as text --------------------------------------------------------------------------------------------- */

/* A malloc'ed copy of a str; NULL for anything else. Steals text, leaves no exception. */
static char *text_copy(PyObject *text)
{
    const char *utf8 = text && PyUnicode_Check(text) ? PyUnicode_AsUTF8(text) : NULL;
    char *copy = utf8 ? strdup(utf8) : NULL;
    Py_XDECREF(text);
    PyErr_Clear();
    return copy;
}

/* What traceback.TracebackException prints, without the last newline. */
static char *display(PyObject *exception)
{
    PyObject *module = PyImport_ImportModule("traceback"), *lines = NULL, *joined = NULL, *empty = NULL;
    if (module) lines = PyObject_CallMethod(module, "format_exception", "O", exception);
    if (lines && (empty = PyUnicode_FromString(""))) joined = PyUnicode_Join(empty, lines);
    Py_XDECREF(module);
    Py_XDECREF(lines);
    Py_XDECREF(empty);
    char *copy = text_copy(joined);
    size_t n = copy ? strlen(copy) : 0;
    if (n && copy[n - 1] == '\n') copy[n - 1] = 0;
    return copy;
}

void exception_text_capture(ExceptionText *text, PyObject *exception)
{
    PyObject *type = OBJECT(Py_TYPE(exception)), *module;
    text->name = text_copy(PyType_GetName((PyTypeObject *)type));
    text->qualname = text_copy(PyType_GetQualName((PyTypeObject *)type));
    if (PyObject_GetOptionalAttr(type, STR(__module__), &module) < 0) PyErr_Clear();
    text->module = text_copy(module);
    text->message = text_copy(PyObject_Str(exception));
    text->display = display(exception);
}

void exception_text_clear(ExceptionText *text)
{
    free(text->name);
    free(text->qualname);
    free(text->module);
    free(text->message);
    free(text->display);
    *text = (ExceptionText){ 0 };
}

static PyObject *text_or_none(const char *text) { return text ? PyUnicode_FromString(text) : Py_NewRef(Py_None); }

static PyObject *formatted(const ExceptionText *text)
{
    const char *name = text->qualname ? text->qualname : text->name ? text->name : "?", *message = text->message;
    bool bare = !text->module || strcmp(text->module, "builtins") == 0 || strcmp(text->module, "__main__") == 0;
    return PyUnicode_FromFormat("%s%s%s%s%s", bare ? "" : text->module, bare ? "" : ".", name, message && *message ? ": " : "",
                                message ? message : "");
}

PyObject *exception_text_namespace(const ExceptionText *text)
{
    PyObject *type_dict = PyDict_New(), *dict = PyDict_New(), *result = NULL;
    if (!type_dict || !dict) goto done;
    if (add_stolen(type_dict, "__name__", text_or_none(text->name)) < 0 || add_stolen(type_dict, "__qualname__", text_or_none(text->qualname)) < 0
        || add_stolen(type_dict, "__module__", text_or_none(text->module)) < 0) goto done;
    if (add_stolen(dict, "type", _PyNamespace_New(type_dict)) < 0 || add_stolen(dict, "msg", text_or_none(text->message)) < 0
        || add_stolen(dict, "formatted", formatted(text)) < 0) goto done;
    if (text->display && add_stolen(dict, "errdisplay", PyUnicode_FromString(text->display)) < 0) goto done;
    result = _PyNamespace_New(dict);
done:
    Py_XDECREF(type_dict);
    Py_XDECREF(dict);
    return result;
}

/* ---- visits ---------------------------------------------------------------------------------------------------------- */

int visit_begin(Visit *visit, Interpreter *interp, bool main)
{
    *visit = (Visit){ .interp = interp, .main = main };
    if (main && __atomic_exchange_n(&interp->runtime.running_main, true, __ATOMIC_ACQ_REL)) {
        visit->main = false;
        set_error("interpreter already running");
        return -1;
    }
    if (interp == interp_get()) return 0;
    if (!(visit->theirs = PyThreadState_New(interp))) {
        if (main) __atomic_store_n(&interp->runtime.running_main, false, __ATOMIC_RELEASE);
        PyErr_NoMemory();
        return -1;
    }
    visit->own = PyThreadState_Swap(visit->theirs);
    return 0;
}

void visit_end(Visit *visit)
{
    if (visit->main) __atomic_store_n(&visit->interp->runtime.running_main, false, __ATOMIC_RELEASE);
    if (!visit->theirs) return;
    PyThreadState_Clear(visit->theirs);
    PyThreadState_Swap(visit->own);
    PyThreadState_Delete(visit->theirs);
}
