/* builtins: print, input, breakpoint. */
#include "builtins_private.h"

#include <unistd.h>

BUILTIN_RAW(builtins, print, "($module, /, *args, sep=' ', end='\\n', file=None, flush=False)",
            "Print the values to a stream, or to sys.stdout by default.")
{
    PyObject *sep = NULL, *end = NULL, *file = Py_None;
    int flush = 0;
    for (Py_ssize_t k = 0; kwnames && k < PyTuple_GET_SIZE(kwnames); k++) {
        PyObject *keyword = PyTuple_GET_ITEM(kwnames, k), *value = args[nargs + k];
        if (PyUnicode_EqualToUTF8(keyword, "sep")) sep = value;
        else if (PyUnicode_EqualToUTF8(keyword, "end")) end = value;
        else if (PyUnicode_EqualToUTF8(keyword, "file")) file = value;
        else if (PyUnicode_EqualToUTF8(keyword, "flush")) {
            if ((flush = PyObject_IsTrue(value)) < 0) return NULL;
        }
        else return builtins_reject_keywords("print", Py_BuildValue("[ssss]", "sep", "end", "file", "flush"), kwnames);
    }
    if (file == Py_None) {
        file = PySys_GetObject("stdout");
        if (!file) return PyErr_Format(PyExc_RuntimeError, "lost sys.stdout");
        if (file == Py_None) Py_RETURN_NONE;                 /* no console: pythonw and daemons */
    }
    if (sep == Py_None) sep = NULL;
    else if (sep && !PyUnicode_Check(sep)) return PyErr_Format(PyExc_TypeError, "sep must be None or a string, not %.200s", Py_TYPE(sep)->tp_name);
    if (end == Py_None) end = NULL;
    else if (end && !PyUnicode_Check(end)) return PyErr_Format(PyExc_TypeError, "end must be None or a string, not %.200s", Py_TYPE(end)->tp_name);
    Py_INCREF(file);                                         /* a __str__ may replace sys.stdout */
    int status = 0;
    for (Py_ssize_t i = 0; status == 0 && i < nargs; i++) {
        if (i > 0) status = sep ? PyFile_WriteObject(sep, file, Py_PRINT_RAW) : PyFile_WriteString(" ", file);
        if (status == 0) status = PyFile_WriteObject(args[i], file, Py_PRINT_RAW);
    }
    if (status == 0) status = end ? PyFile_WriteObject(end, file, Py_PRINT_RAW) : PyFile_WriteString("\n", file);
    if (status == 0 && flush) {
        PyObject *result = PyObject_CallMethodNoArgs(file, STR(flush));
        status = result ? 0 : -1;
        Py_XDECREF(result);
    }
    Py_DECREF(file);
    if (status < 0) return NULL;
    Py_RETURN_NONE;
}

/* ---- input ---------------------------------------------------------------------------------------------------------------------- */

static PyObject *lost(const char *name) { return PyErr_Format(PyExc_RuntimeError, "input(): lost sys.%s", name); }

/* Does the stream stand for this descriptor, and is that a terminal? 0, 1; errors count as no. */
static int is_terminal(PyObject *stream, int fd)
{
    PyObject *number = PyObject_CallMethodNoArgs(stream, STR(fileno));
    long have = number ? PyLong_AsLong(number) : -1;
    Py_XDECREF(number);
    PyErr_Clear();
    return have == fd && isatty(fd);
}

static PyObject *stream_text(PyObject *stream, PyObject *name)
{
    PyObject *text = PyObject_GetAttr(stream, name);
    if (text && !PyUnicode_Check(text)) Py_CLEAR(text);
    if (!text) PyErr_Clear();
    return text;
}

/* With line editing, on the terminal. *done is false when the streams say too little about their encoding. */
static PyObject *terminal_input(PyObject *in, PyObject *out, PyObject *prompt, bool *done)
{
    PyObject *in_encoding = stream_text(in, STR(encoding)), *in_errors = stream_text(in, STR(errors));
    PyObject *out_encoding = stream_text(out, STR(encoding)), *out_errors = stream_text(out, STR(errors));
    PyObject *result = NULL, *encoded = NULL, *text = NULL;
    *done = in_encoding && in_errors && out_encoding && out_errors;
    if (!*done) goto out;
    PyObject *flushed = PyObject_CallMethodNoArgs(out, STR(flush));
    if (flushed) Py_DECREF(flushed);
    else PyErr_Clear();
    const char *shown = "";
    if (prompt) {
        if (!(text = PyObject_Str(prompt))) goto out;
        if (!(encoded = PyUnicode_AsEncodedString(text, PyUnicode_AsUTF8(out_encoding), PyUnicode_AsUTF8(out_errors)))) goto out;
        shown = PyBytes_AS_STRING(encoded);
        if (strlen(shown) != (size_t)PyBytes_GET_SIZE(encoded)) {
            PyErr_SetString(PyExc_ValueError, "input: prompt string cannot contain null characters");
            goto out;
        }
    }
    char *line = PyOS_Readline(stdin, stdout, shown);
    if (!line) {
        PyErr_CheckSignals();
        if (!PyErr_Occurred()) PyErr_SetNone(PyExc_KeyboardInterrupt);
        goto out;
    }
    size_t n = strlen(line);
    if (n == 0) PyErr_SetNone(PyExc_EOFError);
    else if (n > PY_SSIZE_T_MAX) PyErr_SetString(PyExc_OverflowError, "input: input too long");
    else {
        if (line[n - 1] == '\n') n--;
        result = PyUnicode_Decode(line, (Py_ssize_t)n, PyUnicode_AsUTF8(in_encoding), PyUnicode_AsUTF8(in_errors));
    }
    PyMem_Free(line);
    if (result && PySys_Audit("builtins.input/result", "O", result) < 0) Py_CLEAR(result);
out:
    Py_XDECREF(in_encoding);
    Py_XDECREF(in_errors);
    Py_XDECREF(out_encoding);
    Py_XDECREF(out_errors);
    Py_XDECREF(encoded);
    Py_XDECREF(text);
    return result;
}

BUILTIN(builtins, input, POSITIONAL, "($module, prompt='', /)",
        "Read a string from standard input; the trailing newline is stripped. EOFError at the end of the input.")
{
    PyObject *in = PySys_GetObject("stdin"), *out = PySys_GetObject("stdout"), *err = PySys_GetObject("stderr"), *result = NULL;
    PyObject *prompt = arg[0];
    if (PySys_Audit("builtins.input", "O", prompt ? prompt : Py_None) < 0) return NULL;
    if (!in || in == Py_None) return lost("stdin");
    if (!out || out == Py_None) return lost("stdout");
    if (!err || err == Py_None) return lost("stderr");
    Py_INCREF(in);
    Py_INCREF(out);
    PyObject *flushed = PyObject_CallMethodNoArgs(err, STR(flush));
    if (flushed) Py_DECREF(flushed);
    else PyErr_Clear();
    bool done = false;
    if (is_terminal(in, fileno(stdin)) && is_terminal(out, fileno(stdout))) result = terminal_input(in, out, prompt, &done);
    if (!done) {
        if (!prompt || PyFile_WriteObject(prompt, out, Py_PRINT_RAW) == 0) {
            flushed = PyObject_CallMethodNoArgs(out, STR(flush));
            if (flushed) Py_DECREF(flushed);
            else PyErr_Clear();
            result = PyFile_GetLine(in, -1);
        }
    }
    Py_DECREF(in);
    Py_DECREF(out);
    return result;
}

BUILTIN_RAW(builtins, breakpoint, "($module, /, *args, **kws)", "Call sys.breakpointhook(*args, **kws).")
{
    PyObject *hook = PySys_GetObject("breakpointhook");
    if (!hook) return PyErr_Format(PyExc_RuntimeError, "lost sys.breakpointhook");
    if (PySys_Audit("builtins.breakpoint", "O", hook) < 0) return NULL;
    Py_INCREF(hook);
    PyObject *result = PyObject_Vectorcall(hook, args, (size_t)nargs, kwnames);
    Py_DECREF(hook);
    return result;
}

PyMethodDef builtins_stream_methods[] = { METHOD(builtins, print), METHOD(builtins, input), METHOD(builtins, breakpoint), { 0 } };
