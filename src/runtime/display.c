/* Showing exceptions: PyErr_Print and friends, sys.excepthook's default work, PyTraceBack_Print.
 * The exact form (carets, groups, notes, suggestions) is the library's: traceback._print_exception_bltin. The printer here is
 * what remains when that cannot be imported or fails. */
#include "runtime/state.h"
#include "runtime/runtime_private.h"
#include "modules/sys_private.h"

#include <stdio.h>
#include <string.h>

/* ---- SystemExit ------------------------------------------------------------------------------------------------- */

/* The exit code when the current exception is a SystemExit that is to end the process; the exception is then cleared. */
bool exit_requested(int *code)
{
    if (PyErr_ExceptionMatches(PyExc_KeyboardInterrupt)) {
        _PyRuntime.runtime.unhandled_interrupt = true;      /* the process then ends by the signal */
        return false;
    }
    if (!PyErr_ExceptionMatches(PyExc_SystemExit)) return false;
    if (interp_config(interp_get())->inspect || inspect_flag()) return false;
    *code = 0;
    PyObject *exception = PyErr_GetRaisedException();
    PyObject *stdout_ = sys_get(STR(stdout));
    if (stdout_ && stdout_ != Py_None) {
        PyObject *flushed = PyObject_CallMethodNoArgs(stdout_, STR(flush));
        if (!flushed) PyErr_Clear();
        Py_XDECREF(flushed);
    }
    PyObject *status = PyObject_GetAttr(exception, STR(code));
    if (!status) PyErr_Clear();
    else Py_SETREF(exception, status);
    if (exception == Py_None) { }
    else if (PyLong_Check(exception)) {
        *code = (int)PyLong_AsLong(exception);
        if (PyErr_Occurred()) PyErr_Clear();
    }
    else {
        *code = 1;
        PyObject *file = sys_get(STR(stderr));
        if (file && file != Py_None) {
            Py_INCREF(file);
            if (PyFile_WriteObject(exception, file, Py_PRINT_RAW) < 0) PyErr_Clear();
            PySys_WriteStderr("\n");
            Py_DECREF(file);
        }
        else {
            PyObject_Print(exception, stderr, Py_PRINT_RAW);
            fflush(stderr);
            if (PyErr_Occurred()) PyErr_Clear();
            fputs("\n", stderr);
        }
    }
    Py_DECREF(exception);
    return true;
}

static void handle_system_exit(void)
{
    int code;
    if (exit_requested(&code)) Py_Exit(code);
}

/* ---- the fallback printer --------------------------------------------------------------------------------------- */

enum { TRACEBACK_LIMIT = 1000, TRACEBACK_RECURSIVE_CUTOFF = 3 };

static int write_text(PyObject *file, const char *text) { return PyFile_WriteString(text, file); }

static int write_object(PyObject *file, PyObject *text)               /* text: stolen, NULL is an error */
{
    int status = text ? PyFile_WriteObject(text, file, Py_PRINT_RAW) : -1;
    Py_XDECREF(text);
    return status;
}

static int write_source_line(PyObject *file, PyObject *filename, int line, int indent)
{
    if (line <= 0) return 0;
    PyObject *text = PyErr_ProgramTextObject(filename, line);
    if (!text) {
        PyErr_Clear();
        return 0;
    }
    Py_ssize_t start = 0, end = PyUnicode_GET_LENGTH(text);
    while (start < end && strchr(" \t\f", (int)PyUnicode_READ_CHAR(text, start)) && PyUnicode_READ_CHAR(text, start)) start++;
    while (end > start && (PyUnicode_READ_CHAR(text, end - 1) == '\n' || PyUnicode_READ_CHAR(text, end - 1) == '\r')) end--;
    PyObject *part = PyUnicode_Substring(text, start, end);
    Py_DECREF(text);
    if (!part) return -1;
    PyObject *shown = PyUnicode_FromFormat("%*s%U\n", indent, "", part);
    Py_DECREF(part);
    return write_object(file, shown);
}

static int write_repeated(PyObject *file, long count)
{
    count -= TRACEBACK_RECURSIVE_CUTOFF;
    return write_object(file, PyUnicode_FromFormat(count > 1 ? "  [Previous line repeated %ld more times]\n"
                                                             : "  [Previous line repeated %ld more time]\n", count));
}

static int write_frames(PyObject *file, PyTracebackObject *tb, long limit)
{
    PyObject *last_file = NULL, *last_name = NULL;
    int last_line = -1, status = 0;
    long depth = 0, repeats = 0;
    for (PyTracebackObject *t = tb; t; t = t->tb_next) depth++;
    while (tb && depth > limit) {
        depth--;
        tb = tb->tb_next;
    }
    for (; !status && tb; tb = tb->tb_next) {
        PyCodeObject *code = PyFrame_GetCode(tb->tb_frame);
        int line = tb->tb_lineno >= 0 ? tb->tb_lineno : PyCode_Addr2Line(code, tb->tb_lasti);
        if (!last_file || code->co_filename != last_file || line != last_line || code->co_name != last_name) {
            if (repeats > TRACEBACK_RECURSIVE_CUTOFF) status = write_repeated(file, repeats);
            last_file = code->co_filename;
            last_line = line;
            last_name = code->co_name;
            repeats = 0;
        }
        if (++repeats <= TRACEBACK_RECURSIVE_CUTOFF && !status) {
            status = write_object(file, PyUnicode_FromFormat("  File \"%U\", line %d, in %U\n", code->co_filename, line, code->co_name));
            if (!status) status = write_source_line(file, code->co_filename, line, 4);
            if (!status && PyErr_CheckSignals() < 0) status = -1;
        }
        Py_DECREF(code);
    }
    if (!status && repeats > TRACEBACK_RECURSIVE_CUTOFF) status = write_repeated(file, repeats);
    return status;
}

int PyTraceBack_Print(PyObject *tb, PyObject *file)
{
    if (!tb) return 0;
    if (!PyTraceBack_Check(tb)) {
        PyErr_BadInternalCall();
        return -1;
    }
    long limit = TRACEBACK_LIMIT;
    PyObject *value = sys_get(STR(tracebacklimit));
    if (value && PyLong_Check(value)) {
        int overflow;
        limit = PyLong_AsLongAndOverflow(value, &overflow);
        if (overflow > 0) limit = LONG_MAX;
        else if (limit <= 0) return 0;
    }
    if (write_text(file, "Traceback (most recent call last):\n") < 0) return -1;
    return write_frames(file, (PyTracebackObject *)tb, limit);
}

static int write_type_name(PyObject *file, PyObject *type)
{
    PyObject *module = PyObject_GetAttr(type, STR(__module__));
    if (!module || !PyUnicode_Check(module)) {
        PyErr_Clear();
        if (write_text(file, "<unknown>.") < 0) { Py_XDECREF(module); return -1; }
    }
    else if (!PyUnicode_EqualToUTF8(module, "builtins") && !PyUnicode_EqualToUTF8(module, "__main__")) {
        if (PyFile_WriteObject(module, file, Py_PRINT_RAW) < 0 || write_text(file, ".") < 0) { Py_DECREF(module); return -1; }
    }
    Py_XDECREF(module);
    PyObject *name = PyType_Check(type) ? PyType_GetQualName((PyTypeObject *)type) : NULL;
    if (!name || !PyUnicode_Check(name)) {
        PyErr_Clear();
        Py_XDECREF(name);
        return write_text(file, "<unknown>");
    }
    return write_object(file, name);
}

static int write_value(PyObject *file, PyObject *value)
{
    PyObject *text = PyObject_Str(value);
    if (!text) {
        PyErr_Clear();
        return write_text(file, ": <exception str() failed>");
    }
    if (PyUnicode_GET_LENGTH(text) == 0) {
        Py_DECREF(text);
        return 0;
    }
    if (write_text(file, ": ") < 0) { Py_DECREF(text); return -1; }
    return write_object(file, text);
}

static int write_exception(PyObject *file, PyObject *value)
{
    PyObject *tb = PyException_GetTraceback(value);
    int status = tb ? PyTraceBack_Print(tb, file) : 0;
    Py_XDECREF(tb);
    if (status < 0 || write_type_name(file, (PyObject *)Py_TYPE(value)) < 0) return -1;
    if (write_value(file, value) < 0) return -1;
    return write_text(file, "\n");
}

static int write_chain(PyObject *file, PyObject *value, PyObject *seen, int depth)
{
    PyObject *id = PyLong_FromVoidPtr(value);
    if (!id || PySet_Add(seen, id) < 0) PyErr_Clear();
    Py_XDECREF(id);
    PyObject *cause = PyException_GetCause(value), *context = cause ? NULL : PyException_GetContext(value);
    PyObject *before = cause ? cause : context;
    if (context) {
        PyObject *suppress = PyObject_GetAttr(value, STR(__suppress_context__));
        if (!suppress) PyErr_Clear();
        else if (PyObject_IsTrue(suppress) == 1) before = NULL;
        Py_XDECREF(suppress);
    }
    int status = 0;
    if (before && depth < 100) {
        id = PyLong_FromVoidPtr(before);
        int known = id ? PySet_Contains(seen, id) : 1;
        Py_XDECREF(id);
        if (!known) {
            status = write_chain(file, before, seen, depth + 1);
            if (!status) status = write_text(file, cause ?
                "\nThe above exception was the direct cause of the following exception:\n\n" :
                "\nDuring handling of the above exception, another exception occurred:\n\n");
        }
    }
    Py_XDECREF(cause);
    Py_XDECREF(context);
    return status ? status : write_exception(file, value);
}

static void flush_file(PyObject *file)
{
    PyObject *saved = PyErr_GetRaisedException();
    PyObject *result = PyObject_CallMethodNoArgs(file, STR(flush));
    if (!result) PyErr_Clear();
    Py_XDECREF(result);
    PyErr_SetRaisedException(saved);
}

/* There is no stream left to show value on. */
static void show_value_raw(PyObject *value)
{
    PyObject *saved = PyErr_GetRaisedException();
    _PyObject_Dump(value);
    fprintf(stderr, "lost sys.stderr\n");
    PyErr_SetRaisedException(saved);
}

/* ---- PyErr_Display ---------------------------------------------------------------------------------------------- */

static bool display_by_library(PyObject *value)
{
    PyObject *module = PyImport_ImportModule("traceback");
    PyObject *function = module ? PyObject_GetAttr(module, STR(_print_exception_bltin)) : NULL;
    PyObject *result = function && PyCallable_Check(function) ? PyObject_CallOneArg(function, value) : NULL;
    Py_XDECREF(module);
    Py_XDECREF(function);
    if (!result) PyErr_Clear();
    Py_XDECREF(result);
    return result != NULL;
}

void display_exception(PyObject *file, PyObject *value, PyObject *tb)
{
    if (!PyExceptionInstance_Check(value)) {
        PyObject *text = PyUnicode_FromFormat("TypeError: print_exception(): Exception expected for value, %.200s found\n",
                                              Py_TYPE(value)->tp_name);
        if (write_object(file, text) < 0) PyErr_Clear();
        return;
    }
    if (tb && PyTraceBack_Check(tb)) {
        PyObject *own = PyException_GetTraceback(value);
        if (!own) PyException_SetTraceback(value, tb);
        else Py_DECREF(own);
    }
    if (interp_get()->runtime.importlib && display_by_library(value)) return;
    PyObject *seen = PySet_New(NULL);
    int status = seen ? write_chain(file, value, seen, 0) : -1;
    Py_XDECREF(seen);
    /* No memory to say anything through the file: the type's name at least. */
    if (status < 0 && PyErr_Occurred() && PyErr_ExceptionMatches(PyExc_MemoryError)) fprintf(stderr, "%s\n", Py_TYPE(value)->tp_name);
    PyErr_Clear();
    if (status < 0) show_value_raw(value);
    flush_file(file);
}

void PyErr_Display(PyObject *Py_UNUSED(type), PyObject *value, PyObject *tb)
{
    PyObject *file = sys_get(STR(stderr));
    if (!file) {
        show_value_raw(value);
        return;
    }
    if (file == Py_None) return;
    Py_INCREF(file);
    display_exception(file, value, tb);
    Py_DECREF(file);
}

void PyErr_DisplayException(PyObject *exception) { PyErr_Display(NULL, exception, NULL); }

static void set_last(PyObject *exception)
{
    PyObject *tb = PyException_GetTraceback(exception);
    if (sys_set(STR(last_exc), exception) < 0) PyErr_Clear();
    if (sys_set(STR(last_type), (PyObject *)Py_TYPE(exception)) < 0) PyErr_Clear();
    if (sys_set(STR(last_value), exception) < 0) PyErr_Clear();
    if (sys_set(STR(last_traceback), tb ? tb : Py_None) < 0) PyErr_Clear();
    Py_XDECREF(tb);
}

void PyErr_PrintEx(int set_sys_last_vars)
{
    handle_system_exit();
    PyObject *exception = PyErr_GetRaisedException();
    if (!exception) return;
    PyObject *tb = PyException_GetTraceback(exception);
    if (!tb) tb = Py_NewRef(Py_None);
    if (set_sys_last_vars) set_last(exception);
    PyObject *type = (PyObject *)Py_TYPE(exception), *hook = Py_XNewRef(sys_get(STR(excepthook)));
    if (PySys_Audit("sys.excepthook", "OOOO", hook ? hook : Py_None, type, exception, tb) < 0) {
        if (PyErr_ExceptionMatches(PyExc_RuntimeError)) {
            PyErr_Clear();
            goto done;
        }
        PyErr_FormatUnraisable("Exception ignored in audit hook");
    }
    if (!hook) {
        PySys_WriteStderr("sys.excepthook is missing\n");
        PyErr_DisplayException(exception);
        goto done;
    }
    PyObject *stack[3] = { type, exception, tb };
    PyObject *result = PyObject_Vectorcall(hook, stack, 3, NULL);
    if (!result) {
        handle_system_exit();
        PyObject *second = PyErr_GetRaisedException();
        fflush(stdout);
        PySys_WriteStderr("Error in sys.excepthook:\n");
        if (second) PyErr_DisplayException(second);
        PySys_WriteStderr("\nOriginal exception was:\n");
        PyErr_DisplayException(exception);
        Py_XDECREF(second);
    }
    Py_XDECREF(result);
done:
    Py_XDECREF(hook);
    Py_DECREF(tb);
    Py_DECREF(exception);
}

void PyErr_Print(void) { PyErr_PrintEx(1); }
