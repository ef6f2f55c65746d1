/* The current exception of a thread: setting, testing, fetching (PyErr_*).
 *
 * PyThreadState.current_exception is its only copy: NULL or an exception instance, owned. What is being handled is the stack that
 * starts at exc_info. */
#include "runtime/errors.h"

#include "memory/alloc.h"

#include <errno.h>

static inline PyThreadState *current(void) { return &thread_get()->ts; }

/* ---- the slot ----------------------------------------------------------------------------------------------------------- */

PyObject *PyErr_Occurred(void)
{
    PyObject *exc = current()->current_exception;
    return exc ? OBJECT(Py_TYPE(exc)) : NULL;
}

PyObject *PyErr_GetRaisedException(void)
{
    PyThreadState *ts = current();
    PyObject *exc = ts->current_exception;
    ts->current_exception = NULL;
    return exc;
}

static void set_raised(PyThreadState *ts, PyObject *exc)           /* steals */
{
    PyObject *old = ts->current_exception;
    ts->current_exception = exc;
    Py_XDECREF(old);
}

void PyErr_SetRaisedException(PyObject *exc) { set_raised(current(), exc); }
void PyErr_Clear(void) { set_raised(current(), NULL); }
/* Raises exc (borrowed, an instance) without touching its context. */
static void errors_set_raw(PyThreadState *ts, PyObject *exc) { set_raised(ts, Py_NewRef(exc)); }

void PyErr_Fetch(PyObject **type, PyObject **value, PyObject **traceback)
{
    PyObject *exc = PyErr_GetRaisedException();
    *value = exc;
    *type = exc ? Py_NewRef(OBJECT(Py_TYPE(exc))) : NULL;
    *traceback = exc ? Py_XNewRef(((PyBaseExceptionObject *)exc)->traceback) : NULL;
}

void PyErr_Restore(PyObject *type, PyObject *value, PyObject *traceback)       /* steals all three */
{
    PyThreadState *ts = current();
    if (!type) {
        assert(!value && !traceback);
        set_raised(ts, NULL);
        return;
    }
    if (!value || !PyExceptionInstance_Check(value)) {
        PyObject *exc = errors_create(type, value);
        Py_XDECREF(value);
        value = exc;
        if (!value) {                                      /* the exception of the failure stays */
            Py_DECREF(type);
            Py_XDECREF(traceback);
            return;
        }
    }
    if (traceback && !PyTraceBack_Check(traceback)) {
        if (traceback != Py_None) {
            PyErr_SetString(PyExc_TypeError, "traceback must be a Traceback or None");
            Py_DECREF(type);
            Py_DECREF(value);
            Py_DECREF(traceback);
            return;
        }
        Py_CLEAR(traceback);
    }
    PyObject *old = ((PyBaseExceptionObject *)value)->traceback;
    ((PyBaseExceptionObject *)value)->traceback = traceback;
    Py_XDECREF(old);
    set_raised(ts, value);
    Py_DECREF(type);
}

/* ---- what is being handled ------------------------------------------------------------------------------------------------- */

/* The exception that a generator or with statement handles: borrowed, None or NULL when there is none. */
static PyObject *errors_handled(PyThreadState *ts)
{
    _PyErr_StackItem *item = ts->exc_info;
    while ((!item->exc_value || item->exc_value == Py_None) && item->previous_item) item = item->previous_item;
    return item->exc_value;
}

PyObject *PyErr_GetHandledException(void)
{
    PyObject *exc = errors_handled(current());
    return exc && exc != Py_None ? Py_NewRef(exc) : NULL;
}

void PyErr_SetHandledException(PyObject *exc)
{
    PyThreadState *ts = current();
    PyObject *old = ts->exc_info->exc_value;
    ts->exc_info->exc_value = Py_XNewRef(exc == Py_None ? NULL : exc);
    Py_XDECREF(old);
}

void PyErr_GetExcInfo(PyObject **type, PyObject **value, PyObject **traceback)
{
    PyObject *exc = errors_handled(current());
    if (!exc || exc == Py_None) {
        *type = Py_None;
        *value = Py_None;
        *traceback = Py_None;
        return;
    }
    PyObject *tb = ((PyBaseExceptionObject *)exc)->traceback;
    *type = Py_NewRef(OBJECT(Py_TYPE(exc)));
    *value = Py_NewRef(exc);
    *traceback = Py_NewRef(tb ? tb : Py_None);
}

void PyErr_SetExcInfo(PyObject *type, PyObject *value, PyObject *traceback)    /* steals; the value says it all */
{
    PyErr_SetHandledException(value);
    Py_XDECREF(value);
    Py_XDECREF(type);
    Py_XDECREF(traceback);
}

/* ---- raising ----------------------------------------------------------------------------------------------------------------- */

PyObject *errors_create(PyObject *type, PyObject *value)
{
    PyObject *exc;
    if (!value || value == Py_None) exc = PyObject_CallNoArgs(type);
    else if (PyTuple_Check(value)) exc = PyObject_Call(type, value, NULL);
    else exc = PyObject_CallOneArg(type, value);
    if (exc && !PyExceptionInstance_Check(exc)) {
        PyErr_Format(PyExc_TypeError, "calling %R should have returned an instance of BaseException, not %s", type,
                     Py_TYPE(exc)->tp_name);
        Py_CLEAR(exc);
    }
    return exc;
}

/* exc gets what is being handled as its context, unless that would close a circle: then the chain is cut where exc stands in it.
 * A circle that is there already ends the search (two pointers, one at half the speed). */
static void chain_context(PyObject *exc, PyObject *handled)
{
    PyObject *at = handled, *slow = handled, *context;
    bool move_slow = false;
    while ((context = ((PyBaseExceptionObject *)at)->context)) {
        if (context == exc) {
            PyException_SetContext(at, NULL);
            break;
        }
        at = context;
        if (at == slow) break;
        if (move_slow) slow = ((PyBaseExceptionObject *)slow)->context;
        move_slow = !move_slow;
    }
    PyException_SetContext(exc, Py_NewRef(handled));
}

/* A note saying what was being raised when making the exception failed. */
static COLD void note_failure(PyObject *type, PyObject *value)
{
    PyObject *failure = PyErr_GetRaisedException();
    PyObject *shown = PyObject_Repr(value);                /* of NULL: "<NULL>" */
    if (!shown) {
        PyErr_Clear();
        shown = PyUnicode_FromString("<unknown>");
    }
    const char *name = PyExceptionClass_Name(type);
    PyObject *note = shown ? PyUnicode_FromFormat("Normalization failed: type=%s args=%S", name, shown)
                           : PyUnicode_FromFormat("Normalization failed: type=%s", name);
    Py_XDECREF(shown);
    if (!note) PyErr_Clear();
    if (note) {
        PyObject *none = PyObject_CallMethodOneArg(failure, STR(add_note), note);
        Py_XDECREF(none);
        Py_DECREF(note);
    }
    PyErr_SetRaisedException(failure);
}

void PyErr_SetObject(PyObject *type, PyObject *value)
{
    PyThreadState *ts = current();
    if (type && !PyExceptionClass_Check(type)) {
        PyErr_Format(PyExc_SystemError, "_PyErr_SetObject: exception %R is not a BaseException subclass", type);
        return;
    }
    if (!type) {
        PyErr_Clear();
        return;
    }
    PyObject *exc = NULL;
    if (value && PyExceptionInstance_Check(value)) {
        int is_instance = PyObject_IsSubclass(OBJECT(Py_TYPE(value)), type);
        if (is_instance < 0) return;
        if (is_instance) exc = Py_NewRef(value);
    }
    if (!exc) {
        Py_XINCREF(value);                                 /* clearing may drop the last other reference */
        set_raised(ts, NULL);                              /* calls are not made with an exception set */
        exc = errors_create(type, value);
        if (!exc) note_failure(type, value);
        Py_XDECREF(value);
        if (!exc) return;
    }
    PyObject *handled = errors_handled(ts);
    if (handled && handled != Py_None && handled != exc) chain_context(exc, handled);
    set_raised(ts, exc);
}

void PyErr_SetNone(PyObject *type) { PyErr_SetObject(type, NULL); }

void PyErr_SetString(PyObject *type, const char *string)
{
    PyObject *text = PyUnicode_FromString(string);
    if (!text) return;
    PyErr_SetObject(type, text);
    Py_DECREF(text);
}

PyObject *PyErr_FormatV(PyObject *type, const char *format, va_list args)
{
    PyErr_Clear();                                         /* formatting may run code */
    PyObject *text = PyUnicode_FromFormatV(format, args);
    if (!text) return NULL;
    PyErr_SetObject(type, text);
    Py_DECREF(text);
    return NULL;
}

PyObject *PyErr_Format(PyObject *type, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    PyErr_FormatV(type, format, args);
    va_end(args);
    return NULL;
}

/* Raises type(value) where value must be taken as it is. */
static void raise_with_argument(PyObject *type, PyObject *value)
{
    set_raised(current(), NULL);
    PyObject *exc = PyObject_CallOneArg(type, value);
    if (!exc) return;
    PyErr_SetObject(OBJECT(Py_TYPE(exc)), exc);
    Py_DECREF(exc);
}

void errors_set_key_error(PyObject *key) { raise_with_argument(PyExc_KeyError, key); }
void errors_set_stop_iteration(PyObject *value) { raise_with_argument(PyExc_StopIteration, value); }

PyObject *errors_format_from_cause(PyObject *type, const char *format, ...)
{
    PyObject *cause = PyErr_GetRaisedException();
    va_list args;
    va_start(args, format);
    PyErr_FormatV(type, format, args);
    va_end(args);
    PyObject *exc = PyErr_GetRaisedException();
    if (!exc) exc = Py_NewRef(cause);
    else {
        PyException_SetCause(exc, Py_NewRef(cause));
        PyException_SetContext(exc, Py_NewRef(cause));
    }
    Py_DECREF(cause);
    PyErr_SetRaisedException(exc);
    return NULL;
}

void _PyErr_ChainExceptions1(PyObject *exc)                        /* steals */
{
    if (!exc) return;
    PyThreadState *ts = current();
    if (!ts->current_exception) {
        set_raised(ts, exc);
        return;
    }
    PyObject *newer = PyErr_GetRaisedException();
    PyException_SetContext(newer, exc);
    PyErr_SetRaisedException(newer);
}

/* ---- testing, normalising ------------------------------------------------------------------------------------------------------- */

int PyErr_GivenExceptionMatches(PyObject *error, PyObject *type)
{
    if (!error || !type) return 0;
    if (PyTuple_Check(type)) {
        for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(type); i++)
            if (PyErr_GivenExceptionMatches(error, PyTuple_GET_ITEM(type, i))) return 1;
        return 0;
    }
    if (PyExceptionInstance_Check(error)) error = PyExceptionInstance_Class(error);
    if (PyExceptionClass_Check(error) && PyExceptionClass_Check(type))
        return PyType_IsSubtype((PyTypeObject *)error, (PyTypeObject *)type);
    return error == type;
}

int PyErr_ExceptionMatches(PyObject *type) { return PyErr_GivenExceptionMatches(PyErr_Occurred(), type); }

void PyErr_NormalizeException(PyObject **type, PyObject **value, PyObject **traceback)
{
    for (int depth = 0; *type; depth++) {
        PyObject *given = *value ? *value : Py_None;
        if (!PyExceptionClass_Check(*type)) return;
        int is_instance = 0;
        if (PyExceptionInstance_Check(given)) {
            is_instance = PyObject_IsSubclass(OBJECT(Py_TYPE(given)), *type);
        }
        PyObject *exc = NULL;
        if (is_instance > 0) {
            exc = Py_NewRef(given);
            Py_XDECREF(*type);
            *type = Py_NewRef(OBJECT(Py_TYPE(exc)));
        }
        else if (is_instance == 0) exc = errors_create(*type, given);
        if (exc) {
            Py_XDECREF(*value);
            *value = exc;
            return;
        }
        /* Making it failed: that failure is what is normalised now. */
        if (depth == 32) {
            PyErr_Clear();
            PyErr_SetString(PyExc_RecursionError, "maximum recursion depth exceeded while normalizing an exception");
        }
        if (depth > 34) Py_FatalError("Cannot recover from the recursive normalization of an exception.");
        PyObject *old_traceback = *traceback;
        Py_DECREF(*type);
        Py_XDECREF(*value);
        PyErr_Fetch(type, value, traceback);
        if (!old_traceback) continue;
        if (*traceback) Py_DECREF(old_traceback);
        else *traceback = old_traceback;
    }
}

/* ---- common errors ----------------------------------------------------------------------------------------------------------------- */

int PyErr_BadArgument(void)
{
    PyErr_SetString(PyExc_TypeError, "bad argument type for built-in operation");
    return 0;
}

/* The instance is made without calling anything; when there is no room even for that, the one kept in reserve is raised. */
COLD PyObject *PyErr_NoMemory(void)
{
    Thread *t = thread_get();
    PyObject *reserve = t->ts.interp->objects.errors.last_memory_error;
    PyTypeObject *type = (PyTypeObject *)PyExc_MemoryError;
    PyBaseExceptionObject *exc = heap_alloc(t->heap, PAGE_COLLECTABLE, sizeof(PyBaseExceptionObject));
    if (!exc) {
        if (!reserve) Py_FatalError("out of memory before the interpreter is ready");
        PyBaseExceptionObject *kept = (PyBaseExceptionObject *)reserve;
        if (Py_REFCNT(reserve) == 1) {                     /* nobody has it: drop what its last use left */
            Py_CLEAR(kept->traceback);
            Py_CLEAR(kept->context);
            Py_CLEAR(kept->cause);
        }
        errors_set_raw(&t->ts, reserve);
        return NULL;
    }
    memset(exc, 0, sizeof *exc);
    exc->ob_base.ob_refcnt = 1;
    exc->ob_base.ob_type = type;
    exc->args = EMPTY_TUPLE;
    gc_track(t, OBJECT(exc));
    PyObject *handled = errors_handled(&t->ts);
    if (handled && handled != Py_None) exc->context = Py_NewRef(handled);
    set_raised(&t->ts, OBJECT(exc));
    return NULL;
}

PyObject *PyErr_SetFromErrnoWithFilenameObjects(PyObject *type, PyObject *filename, PyObject *filename2)
{
    int number = errno;
    if (number == EINTR && PyErr_CheckSignals() < 0) return NULL;
    PyObject *message, *args, *exc;
    if (number == 0) message = PyUnicode_FromString("Error");
    else message = PyUnicode_DecodeLocale(strerror(number), "surrogateescape");
    if (!message) return NULL;
    if (filename && filename2) args = Py_BuildValue("(iOOiO)", number, message, filename, 0, filename2);
    else if (filename) args = Py_BuildValue("(iOO)", number, message, filename);
    else args = Py_BuildValue("(iO)", number, message);
    Py_DECREF(message);
    if (!args) return NULL;
    exc = PyObject_Call(type, args, NULL);
    Py_DECREF(args);
    if (exc) {
        PyErr_SetObject(OBJECT(Py_TYPE(exc)), exc);
        Py_DECREF(exc);
    }
    return NULL;
}

PyObject *PyErr_SetFromErrnoWithFilenameObject(PyObject *type, PyObject *filename)
{
    return PyErr_SetFromErrnoWithFilenameObjects(type, filename, NULL);
}

PyObject *PyErr_SetFromErrnoWithFilename(PyObject *type, const char *filename)
{
    int number = errno;
    PyObject *name = NULL;
    if (filename && !(name = PyUnicode_DecodeFSDefault(filename))) return NULL;
    errno = number;
    PyErr_SetFromErrnoWithFilenameObjects(type, name, NULL);
    Py_XDECREF(name);
    return NULL;
}

PyObject *PyErr_SetFromErrno(PyObject *type) { return PyErr_SetFromErrnoWithFilenameObjects(type, NULL, NULL); }

PyObject *PyErr_SetImportErrorSubclass(PyObject *type, PyObject *msg, PyObject *name, PyObject *path)
{
    int derived = PyObject_IsSubclass(type, PyExc_ImportError);
    if (derived < 0) return NULL;
    if (!derived) {
        PyErr_SetString(PyExc_TypeError, "expected a subclass of ImportError");
        return NULL;
    }
    if (!msg) {
        PyErr_SetString(PyExc_TypeError, "expected a message argument");
        return NULL;
    }
    PyObject *kwargs = Py_BuildValue("{sOsO}", "name", name ? name : Py_None, "path", path ? path : Py_None);
    PyObject *args = PyTuple_Pack(1, msg), *exc = kwargs && args ? PyObject_Call(type, args, kwargs) : NULL;
    Py_XDECREF(args);
    Py_XDECREF(kwargs);
    if (exc) {
        PyErr_SetObject(OBJECT(Py_TYPE(exc)), exc);
        Py_DECREF(exc);
    }
    return NULL;
}

PyObject *PyErr_SetImportError(PyObject *msg, PyObject *name, PyObject *path)
{
    return PyErr_SetImportErrorSubclass(PyExc_ImportError, msg, name, path);
}

void _PyErr_BadInternalCall(const char *filename, int lineno)
{
    PyErr_Format(PyExc_SystemError, "%s:%d: bad argument to internal function", filename, lineno);
}

void (PyErr_BadInternalCall)(void) { PyErr_SetString(PyExc_SystemError, "bad argument to internal function"); }

/* ---- new exception types ---------------------------------------------------------------------------------------------------------------- */

PyObject *PyErr_NewException(const char *name, PyObject *base, PyObject *dict)
{
    const char *dot = strrchr(name, '.');
    PyObject *own_dict = NULL, *bases = NULL, *module = NULL, *result = NULL;
    if (!dot) {
        PyErr_SetString(PyExc_SystemError, "PyErr_NewException: name must be module.class");
        return NULL;
    }
    if (!base) base = PyExc_Exception;
    if (!dict && !(dict = own_dict = PyDict_New())) return NULL;
    int has_module = PyDict_Contains(dict, STR(__module__));
    if (has_module < 0) goto done;
    if (!has_module) {
        if (!(module = PyUnicode_FromStringAndSize(name, dot - name))) goto done;
        if (PyDict_SetItem(dict, STR(__module__), module) < 0) goto done;
    }
    if (!(bases = PyTuple_Check(base) ? Py_NewRef(base) : PyTuple_Pack(1, base))) goto done;
    result = PyObject_CallFunction(OBJECT(&PyType_Type), "sOO", dot + 1, bases, dict);
done:
    Py_XDECREF(own_dict);
    Py_XDECREF(module);
    Py_XDECREF(bases);
    return result;
}

PyObject *PyErr_NewExceptionWithDoc(const char *name, const char *doc, PyObject *base, PyObject *dict)
{
    PyObject *own_dict = NULL, *result = NULL;
    if (!dict && !(dict = own_dict = PyDict_New())) return NULL;
    if (doc) {
        PyObject *text = PyUnicode_FromString(doc);
        int status = text ? PyDict_SetItemString(dict, "__doc__", text) : -1;
        Py_XDECREF(text);
        if (status < 0) goto done;
    }
    result = PyErr_NewException(name, base, dict);
done:
    Py_XDECREF(own_dict);
    return result;
}
