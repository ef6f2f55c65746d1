/* Exceptions that nobody can catch: in destructors, callbacks and the like. They go to sys.unraisablehook. */
#include "runtime/errors.h"

#include "runtime/state.h"

/* ---- sys.UnraisableHookArgs ------------------------------------------------------------------------------------------------ */

static PyStructSequence_Field args_fields[] = {
    { "exc_type", "Exception type" },
    { "exc_value", "Exception value" },
    { "exc_traceback", "Exception traceback" },
    { "err_msg", "Error message" },
    { "object", "Object causing the exception" },
    { NULL, NULL },
};

static PyStructSequence_Desc args_description = {
    .name = "builtins.UnraisableHookArgs",
    .doc = "UnraisableHookArgs\n\nType used to pass arguments to sys.unraisablehook.",
    .fields = args_fields,
    .n_in_sequence = 5,
};

static PyTypeObject *errors_unraisable_type(void)
{
    ErrorState *state = &interp_get()->objects.errors;
    if (!state->unraisable_args) {
        PyObject *pending = PyErr_GetRaisedException();
        state->unraisable_args = PyStructSequence_NewType(&args_description);
        if (pending) PyErr_SetRaisedException(pending);
    }
    return state->unraisable_args;
}

/* ---- the default hook --------------------------------------------------------------------------------------------------------- */

static int write_text(PyObject *file, const char *text) { return PyFile_WriteString(text, file); }

/* "module.QualifiedName" of an exception type; builtins and __main__ are not shown. */
static int write_type(PyObject *type, PyObject *file)
{
    PyObject *module = NULL, *name = NULL;
    int status = -1;
    if (PyObject_GetOptionalAttr(type, STR(__module__), &module) < 0 || !module || !PyUnicode_Check(module)) {
        PyErr_Clear();
        if (write_text(file, "<unknown>") < 0) goto done;
    }
    else if (PyUnicode_CompareWithASCIIString(module, "builtins") && PyUnicode_CompareWithASCIIString(module, "__main__")) {
        if (PyFile_WriteObject(module, file, Py_PRINT_RAW) < 0 || write_text(file, ".") < 0) goto done;
    }
    name = PyType_GetQualName((PyTypeObject *)type);
    if (!name || !PyUnicode_Check(name)) {
        PyErr_Clear();
        status = write_text(file, "<unknown>");
    }
    else status = PyFile_WriteObject(name, file, Py_PRINT_RAW);
done:
    Py_XDECREF(module);
    Py_XDECREF(name);
    return status;
}

static int write_report(PyObject *file, PyObject *type, PyObject *value, PyObject *traceback, PyObject *message, PyObject *object)
{
    bool has_message = message && message != Py_None;
    if (object && object != Py_None) {
        if (has_message) {
            if (PyFile_WriteObject(message, file, Py_PRINT_RAW) < 0 || write_text(file, ": ") < 0) return -1;
        }
        else if (write_text(file, "Exception ignored in: ") < 0) return -1;
        if (PyFile_WriteObject(object, file, 0) < 0) {
            PyErr_Clear();
            if (write_text(file, "<object repr() failed>") < 0) return -1;
        }
        if (write_text(file, "\n") < 0) return -1;
    }
    else if (has_message) {
        if (PyFile_WriteObject(message, file, Py_PRINT_RAW) < 0 || write_text(file, ":\n") < 0) return -1;
    }
    if (traceback && traceback != Py_None && PyTraceBack_Print(traceback, file) < 0) PyErr_Clear();
    if (!type || type == Py_None) return -1;
    if (write_type(type, file) < 0) return -1;
    if (value && value != Py_None) {
        if (write_text(file, ": ") < 0) return -1;
        if (PyFile_WriteObject(value, file, Py_PRINT_RAW) < 0) {
            PyErr_Clear();
            if (write_text(file, "<exception str() failed>") < 0) return -1;
        }
    }
    if (write_text(file, "\n") < 0) return -1;
    PyObject *none = PyObject_CallMethodNoArgs(file, STR(flush));
    if (!none) return -1;
    Py_DECREF(none);
    return 0;
}

static int report_to_stderr(PyObject *type, PyObject *value, PyObject *traceback, PyObject *message, PyObject *object)
{
    PyObject *file = sys_get(STR(stderr));            /* borrowed */
    if (!file || file == Py_None) return 0;
    Py_INCREF(file);
    int status = write_report(file, type, value, traceback, message, object);
    Py_DECREF(file);
    return status;
}

PyObject *errors_unraisable_hook(PyObject *Py_UNUSED(module), PyObject *args)
{
    PyTypeObject *type = errors_unraisable_type();
    if (!type) return NULL;
    if (!Py_IS_TYPE(args, type)) {
        PyErr_SetString(PyExc_TypeError, "sys.unraisablehook argument type must be UnraisableHookArgs");
        return NULL;
    }
    PyObject *fields[5];
    for (int i = 0; i < 5; i++) fields[i] = PyStructSequence_GetItem(args, i);
    if (report_to_stderr(fields[0], fields[1], fields[2], fields[3], fields[4]) < 0) return NULL;
    Py_RETURN_NONE;
}

/* ---- reporting ------------------------------------------------------------------------------------------------------------------- */

static PyObject *make_args(PyObject *exc, PyObject *message, PyObject *object)
{
    PyTypeObject *type = errors_unraisable_type();
    PyObject *args = type ? PyStructSequence_New(type) : NULL;
    if (!args) return NULL;
    PyObject *traceback = ((PyBaseExceptionObject *)exc)->traceback;
    PyObject *const values[5] = { OBJECT(Py_TYPE(exc)), exc, traceback, message, object };
    for (int i = 0; i < 5; i++) PyStructSequence_SetItem(args, i, Py_NewRef(values[i] ? values[i] : Py_None));
    return args;
}

/* Steals message and the pending exception. */
static COLD void write_unraisable(PyObject *message, PyObject *object)
{
    PyThreadState *ts = &thread_get()->ts;
    PyObject *exc = PyErr_GetRaisedException();
    if (!exc) {
        Py_XDECREF(message);
        return;
    }
    if (!((PyBaseExceptionObject *)exc)->traceback && ts->current_frame) {
        PyFrameObject *frame = PyThreadState_GetFrame(ts);
        if (frame) {                                       /* where it happened, if the exception does not say so itself */
            PyErr_SetRaisedException(Py_NewRef(exc));
            PyTraceBack_Here(frame);
            Py_XDECREF(PyErr_GetRaisedException());
            Py_DECREF(frame);
        }
    }
    PyObject *hook = interp_get()->runtime.sysdict ? sys_get(STR(unraisablehook)) : NULL;     /* borrowed */
    if (!hook || hook == Py_None) {
        report_to_stderr(OBJECT(Py_TYPE(exc)), exc, ((PyBaseExceptionObject *)exc)->traceback, message, object);
        PyErr_Clear();
        goto done;
    }
    PyObject *args = make_args(exc, message, object);
    if (args) {
        Py_INCREF(hook);
        PyObject *none = PySys_Audit("sys.unraisablehook", "OO", hook, args) == 0 ? PyObject_CallOneArg(hook, args) : NULL;
        Py_DECREF(hook);
        Py_DECREF(args);
        if (none) {
            Py_DECREF(none);
            goto done;
        }
    }
    /* The hook failed: report that, in the default way. */
    PyObject *failure = PyErr_GetRaisedException();
    PyObject *text = PyUnicode_FromString(args ? "Exception ignored in sys.unraisablehook" : "Exception ignored on building sys.unraisablehook arguments");
    if (failure) report_to_stderr(OBJECT(Py_TYPE(failure)), failure, ((PyBaseExceptionObject *)failure)->traceback, text, args ? hook : NULL);
    PyErr_Clear();
    Py_XDECREF(text);
    Py_XDECREF(failure);
done:
    Py_XDECREF(message);
    Py_DECREF(exc);
}

void PyErr_WriteUnraisable(PyObject *object) { write_unraisable(NULL, object); }

void PyErr_FormatUnraisable(const char *format, ...)
{
    PyObject *message = NULL;
    if (format) {
        PyObject *exc = PyErr_GetRaisedException();
        va_list args;
        va_start(args, format);
        message = PyUnicode_FromFormatV(format, args);
        va_end(args);
        if (!message) PyErr_Clear();
        PyErr_SetRaisedException(exc);
    }
    write_unraisable(message, NULL);
}
