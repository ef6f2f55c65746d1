/* Fatal errors, and tracebacks written without any allocation or lock: for signal handlers and broken processes. */
#include "runtime/state.h"
#include "runtime/runtime_private.h"
#include "modules/sys_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define P (&_PyRuntime.runtime)

enum { DUMP_FRAMES = 100, DUMP_THREADS = 100, DUMP_STRING = 500 };

/* ---- writing ---------------------------------------------------------------------------------------------------- */

static void dump_bytes(int fd, const char *text, size_t n)
{
    while (n) {
        ssize_t done = write(fd, text, n);
        if (done < 0 && errno == EINTR) continue;
        if (done <= 0) return;
        text += done;
        n -= (size_t)done;
    }
}

void dump_text(int fd, const char *text) { dump_bytes(fd, text, strlen(text)); }

static void dump_decimal(int fd, size_t value)
{
    char buffer[24], *p = buffer + sizeof buffer;
    do *--p = (char)('0' + value % 10); while (value /= 10);
    dump_bytes(fd, p, (size_t)(buffer + sizeof buffer - p));
}

static void dump_hexadecimal(int fd, uintptr_t value, int width)
{
    char buffer[2 * sizeof value], *end = buffer + sizeof buffer, *p = end;
    do {
        *--p = "0123456789abcdef"[value & 15];
        value >>= 4;
        width--;
    } while ((width > 0 || value) && p > buffer);
    dump_bytes(fd, p, (size_t)(end - p));
}

static void dump_str(int fd, PyObject *text)
{
    if (!text || !PyUnicode_Check(text)) {
        dump_text(fd, "???");
        return;
    }
    Py_ssize_t length = PyUnicode_GET_LENGTH(text), shown = length > DUMP_STRING ? DUMP_STRING : length;
    for (Py_ssize_t i = 0; i < shown; i++) {
        Py_UCS4 c = PyUnicode_READ_CHAR(text, i);
        if (c >= ' ' && c <= 126) {
            char byte = (char)c;
            dump_bytes(fd, &byte, 1);
        }
        else {
            dump_text(fd, c <= 0xff ? "\\x" : c <= 0xffff ? "\\u" : "\\U");
            dump_hexadecimal(fd, c, c <= 0xff ? 2 : c <= 0xffff ? 4 : 8);
        }
    }
    if (shown < length) dump_text(fd, "...");
}

/* ---- tracebacks ------------------------------------------------------------------------------------------------- */

static void dump_frame(int fd, Frame *frame)
{
    PyCodeObject *code = (PyCodeObject *)frame->f_executable;
    dump_text(fd, "  File ");
    if (code->co_filename && PyUnicode_Check(code->co_filename)) {
        dump_text(fd, "\"");
        dump_str(fd, code->co_filename);
        dump_text(fd, "\"");
    }
    else dump_text(fd, "???");
    int line = PyCode_Addr2Line(code, (int)((char *)frame->instr_ptr - (char *)CODE_UNITS(code)));
    dump_text(fd, ", line ");
    if (line >= 0) dump_decimal(fd, (size_t)line);
    else dump_text(fd, "???");
    dump_text(fd, " in ");
    dump_str(fd, code->co_name);
    dump_text(fd, "\n");
}

void dump_traceback(int fd, PyThreadState *ts, bool header)
{
    if (header) dump_text(fd, "Stack (most recent call first):\n");
    Frame *frame = ts->current_frame;
    while (frame && frame->owner == FRAME_OWNED_BY_CSTACK) frame = frame->previous;
    if (!frame) {
        dump_text(fd, "  <no Python frame>\n");
        return;
    }
    for (int depth = 0; frame; frame = frame->previous) {
        if (frame->owner == FRAME_OWNED_BY_CSTACK) continue;
        if (depth++ >= DUMP_FRAMES) {
            dump_text(fd, "  ...\n");
            return;
        }
        if (!frame->f_executable || !PyCode_Check(frame->f_executable)) return;
        dump_frame(fd, frame);
    }
}

static void dump_thread_header(int fd, PyThreadState *ts, bool current)
{
    dump_text(fd, current ? "Current thread 0x" : "Thread 0x");
    dump_hexadecimal(fd, ts->thread_id, 16);
    dump_text(fd, " (most recent call first):\n");
}

const char *dump_all_threads(int fd, Interpreter *interp, PyThreadState *current)
{
    if (!interp && current) interp = current->interp;
    if (!interp) interp = P->main_interpreter;
    if (!interp) return "unable to get the interpreter state";
    PyThreadState *ts = interp->runtime.threads;
    if (!ts) return "unable to get the thread head state";
    for (int n = 0; ts; ts = ts->next, n++) {
        if (n) dump_text(fd, "\n");
        if (n >= DUMP_THREADS) {
            dump_text(fd, "...\n");
            break;
        }
        dump_thread_header(fd, ts, ts == current);
        if (ts == current && interp->gc.collecting) dump_text(fd, "  Garbage-collecting\n");
        dump_traceback(fd, ts, false);
    }
    return NULL;
}

/* sys.stdlib_module_names, or NULL. Without a thread state: the dict is read as it lies. */
static PyObject *stdlib_names(Interpreter *interp)
{
    PyObject *key, *value;
    Py_ssize_t at = 0;
    if (!interp->runtime.sysdict) return NULL;
    while (PyDict_Next(interp->runtime.sysdict, &at, &key, &value))
        if (PyUnicode_Check(key) && PyUnicode_EqualToUTF8(key, "stdlib_module_names")) return PyAnySet_Check(value) ? value : NULL;
    return NULL;
}

/* By text, calling nobody's __hash__ or __eq__. */
static bool is_among(PyObject *names, PyObject *name)
{
    PySetObject *set = (PySetObject *)names;
    for (Py_ssize_t i = 0; names && i <= set->mask; i++) {
        PyObject *key = set->table[i].key;
        if (key && PyUnicode_Check(key) && PyUnicode_Compare(key, name) == 0) return true;
    }
    return false;
}

/* Extension modules that are not the library's: suspects. Reads sys.modules as it lies. */
void dump_extension_modules(int fd, Interpreter *interp)
{
    PyObject *modules = interp ? interp->runtime.modules : NULL, *key, *value;
    Py_ssize_t at = 0;
    size_t count = 0;
    if (!modules || !PyDict_CheckExact(modules)) return;
    PyObject *known = stdlib_names(interp);
    while (PyDict_Next(modules, &at, &key, &value)) {
        if (!PyUnicode_Check(key) || !PyModule_Check(value) || !PyModule_GetDef(value) || is_among(known, key)) continue;
        dump_text(fd, count++ ? ", " : "\nExtension modules: ");
        dump_str(fd, key);
    }
    if (!count) return;
    dump_text(fd, " (total: ");
    dump_decimal(fd, count);
    dump_text(fd, ")\n");
}

/* ---- fatal errors ----------------------------------------------------------------------------------------------- */

static void dump_state(int fd)
{
    dump_text(fd, "Python runtime state: ");
    if (P->finalizing) dump_text(fd, "finalizing (tstate=0x"), dump_hexadecimal(fd, (uintptr_t)P->finalizing, 16), dump_text(fd, ")");
    else if (P->initialized) dump_text(fd, "initialized");
    else if (P->core_initialized) dump_text(fd, "core initialized");
    else if (P->preinitialized) dump_text(fd, "preinitialized");
    else dump_text(fd, "preinitializing");
    dump_text(fd, "\n");
}

static void _Py_NO_RETURN fatal(const char *function, const char *message, int status)
{
    int fd = fileno(stderr);
    PyThreadState *ts = (PyThreadState *)thread_current;
    dump_text(fd, "Fatal Python error: ");
    if (function) {
        dump_text(fd, function);
        dump_text(fd, ": ");
    }
    dump_text(fd, message ? message : "<message not set>");
    dump_text(fd, "\n");
    dump_state(fd);
    if (!P->fatal_errors++) {
        PyObject *exception = ts ? ts->current_exception : NULL;
        if (exception && P->core_initialized) {
            PyErr_SetRaisedException(ts->current_exception = NULL);
            display_exception(sys_get(STR(stderr)) ? sys_get(STR(stderr)) : Py_None, exception, NULL);
            ts->current_exception = NULL;
        }
        fflush(stderr);
        dump_text(fd, "\n");
        if (P->main_interpreter) {
            if (!ts) ts = PyGILState_GetThisThreadState();
            dump_all_threads(fd, ts ? ts->interp : P->main_interpreter, ts);
            dump_extension_modules(fd, ts ? ts->interp : P->main_interpreter);
        }
    }
    fflush(stdout);
    if (status < 0) abort();
    exit(status);
}

void _Py_NO_RETURN _Py_FatalErrorFunc(const char *function, const char *message) { fatal(function, message, -1); }
void _Py_NO_RETURN (Py_FatalError)(const char *message) { fatal(NULL, message, -1); }
void _Py_NO_RETURN fatal_status(PyStatus status) { fatal(status.func, status.err_msg, 1); }
