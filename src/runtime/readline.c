/* Reading a line from the terminal: PyOS_Readline, which readline replaces through PyOS_ReadlineFunctionPointer. */
#include "runtime/state.h"
#include "runtime/runtime_private.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define P (&_PyRuntime.runtime)

int (*PyOS_InputHook)(void) = NULL;
char *(*PyOS_ReadlineFunctionPointer)(FILE *, FILE *, const char *) = NULL;
PyAPI_DATA(PyThreadState *) _PyOS_ReadlineTState;
PyThreadState *_PyOS_ReadlineTState = NULL;

enum { LINE_OK = 0, LINE_EOF = -1, LINE_INTERRUPTED = 1 };

/* Without the GIL. Signals run their handlers; an exception of theirs ends the line. */
static int line_get(PyThreadState *ts, char *buffer, int size, FILE *fp)
{
    for (;;) {
        if (PyOS_InputHook) PyOS_InputHook();
        errno = 0;
        clearerr(fp);
        char *p = fgets(buffer, size, fp);
        if (p) return LINE_OK;
        int error = errno;
        if (feof(fp)) {
            clearerr(fp);
            return LINE_EOF;
        }
        if (error != EINTR) return PyOS_InterruptOccurred() ? LINE_INTERRUPTED : -2;
        PyEval_RestoreThread(ts);
        int raised = PyErr_CheckSignals();
        PyEval_SaveThread();
        if (raised < 0) return LINE_INTERRUPTED;
    }
}

/* PyMem_RawMalloc'ed line with its newline; "" at the end; NULL interrupted or out of memory. */
static char *stdio_readline(PyThreadState *ts, FILE *in, FILE *Py_UNUSED(out), const char *prompt)
{
    size_t size = 100, n = 0;
    char *line = PyMem_RawMalloc(size);
    if (!line) {
        PyEval_RestoreThread(ts);
        PyErr_NoMemory();
        PyEval_SaveThread();
        return NULL;
    }
    fflush(stdout);
    if (prompt) fputs(prompt, stderr);
    fflush(stderr);
    for (;;) {
        int status = line_get(ts, line + n, (int)(size - n), in);
        if (status == LINE_INTERRUPTED) {
            PyMem_RawFree(line);
            return NULL;
        }
        if (status != LINE_OK) {
            line[n] = 0;
            break;
        }
        n += strlen(line + n);
        if (n && line[n - 1] == '\n') break;
        if (n + 1 < size) break;
        char *grown = PyMem_RawRealloc(line, size += size);
        if (!grown) {
            PyMem_RawFree(line);
            PyEval_RestoreThread(ts);
            PyErr_NoMemory();
            PyEval_SaveThread();
            return NULL;
        }
        line = grown;
    }
    return line;
}

/* In a forked child, whose only thread is ts: one that reads a line elsewhere is not there to finish it. */
void readline_after_fork_child(PyThreadState *ts)
{
    if (_PyOS_ReadlineTState == ts) return;
    _PyOS_ReadlineTState = NULL;
    P->reader = (PyMutex){0};
}

char *PyOS_Readline(FILE *in, FILE *out, const char *prompt)
{
    PyThreadState *ts = PyThreadState_Get();
    if (_PyOS_ReadlineTState == ts) {
        PyErr_SetString(PyExc_RuntimeError, "can't re-enter readline");
        return NULL;
    }
    PyMutex_Lock(&P->reader);
    _PyOS_ReadlineTState = ts;
    PyEval_SaveThread();
    char *line;
    if (!PyOS_ReadlineFunctionPointer || !isatty(fileno(in)) || !isatty(fileno(out)) || ts->interp != P->main_interpreter)
        line = stdio_readline(ts, in, out, prompt);
    else line = PyOS_ReadlineFunctionPointer(in, out, prompt);
    PyEval_RestoreThread(ts);
    _PyOS_ReadlineTState = NULL;
    PyMutex_Unlock(&P->reader);
    if (!line) return NULL;
    size_t size = strlen(line) + 1;
    char *copy = PyMem_Malloc(size);
    if (copy) memcpy(copy, line, size);
    else PyErr_NoMemory();
    PyMem_RawFree(line);
    return copy;
}
