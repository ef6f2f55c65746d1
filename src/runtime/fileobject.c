/* fileobject.h: calling file-like objects from C, the emergency printer, io.open_code, newline-aware fgets. */
#include "objects/instance.h"
#include "runtime/state.h"
#include "runtime/runtime_private.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define P (&_PyRuntime.runtime)

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
const char *Py_FileSystemDefaultEncoding = NULL;
const char *Py_FileSystemDefaultEncodeErrors = NULL;
int Py_HasFileSystemDefaultEncoding = 0;
int Py_UTF8Mode = 0;
#pragma GCC diagnostic pop

PyObject *PyFile_FromFd(int fd, const char *Py_UNUSED(name), const char *mode, int buffering, const char *encoding,
                        const char *errors, const char *newline, int closefd)
{
    PyObject *open = PyImport_ImportModule("_io");
    if (!open) return NULL;
    PyObject *stream = PyObject_CallMethod(open, "open", "isisssO", fd, mode, buffering, encoding, errors, newline,
                                           closefd ? Py_True : Py_False);
    Py_DECREF(open);
    return stream;
}

/* n > 0: at most n characters; 0: a line; < 0: a line without its newline, and EOFError at the end. */
PyObject *PyFile_GetLine(PyObject *file, int n)
{
    if (!file) {
        PyErr_BadInternalCall();
        return NULL;
    }
    PyObject *line = n <= 0 ? PyObject_CallMethodNoArgs(file, STR(readline)) : PyObject_CallMethod(file, "readline", "i", n);
    if (line && !PyBytes_Check(line) && !PyUnicode_Check(line)) {
        Py_DECREF(line);
        PyErr_SetString(PyExc_TypeError, "object.readline() returned non-string");
        return NULL;
    }
    if (!line || n >= 0) return line;
    bool text = PyUnicode_Check(line);
    Py_ssize_t length = text ? PyUnicode_GET_LENGTH(line) : PyBytes_GET_SIZE(line);
    if (length == 0) {
        Py_DECREF(line);
        PyErr_SetString(PyExc_EOFError, "EOF when reading a line");
        return NULL;
    }
    bool newline = text ? PyUnicode_READ_CHAR(line, length - 1) == '\n' : PyBytes_AS_STRING(line)[length - 1] == '\n';
    if (newline) {
        PyObject *cut = text ? PyUnicode_Substring(line, 0, length - 1)
                             : PyBytes_FromStringAndSize(PyBytes_AS_STRING(line), length - 1);
        Py_SETREF(line, cut);
    }
    return line;
}

int PyFile_WriteObject(PyObject *value, PyObject *file, int flags)
{
    if (!file) {
        PyErr_SetString(PyExc_TypeError, "writeobject with NULL file");
        return -1;
    }
    PyObject *writer, *result = NULL;
    int unbound = object_get_method(file, STR(write), &writer);
    if (!writer) return -1;
    PyObject *text = flags & Py_PRINT_RAW ? PyObject_Str(value) : PyObject_Repr(value);
    if (text) {
        PyObject *args[] = { file, text };
        result = unbound ? PyObject_Vectorcall(writer, args, 2, NULL) : PyObject_CallOneArg(writer, text);
    }
    Py_XDECREF(text);
    Py_DECREF(writer);
    Py_XDECREF(result);
    return result ? 0 : -1;
}

int PyFile_WriteString(const char *text, PyObject *file)
{
    if (!file) {
        if (!PyErr_Occurred()) PyErr_SetString(PyExc_SystemError, "null file for PyFile_WriteString");
        return -1;
    }
    if (PyErr_Occurred()) return -1;
    PyObject *value = PyUnicode_FromString(text);
    if (!value) return -1;
    int status = PyFile_WriteObject(value, file, Py_PRINT_RAW);
    Py_DECREF(value);
    return status;
}

int PyObject_AsFileDescriptor(PyObject *o)
{
    int fd;
    if (PyLong_Check(o)) {
        if (PyBool_Check(o) && PyErr_WarnEx(PyExc_RuntimeWarning, "bool is used as a file descriptor", 1) < 0) return -1;
        fd = PyLong_AsInt(o);
    }
    else {
        PyObject *method = NULL;
        if (PyObject_GetOptionalAttr(o, STR(fileno), &method) < 0) return -1;
        if (!method) {
            PyErr_SetString(PyExc_TypeError, "argument must be an int, or have a fileno() method.");
            return -1;
        }
        PyObject *number = PyObject_CallNoArgs(method);
        Py_DECREF(method);
        if (!number) return -1;
        if (!PyLong_Check(number)) {
            Py_DECREF(number);
            PyErr_SetString(PyExc_TypeError, "fileno() returned a non-integer");
            return -1;
        }
        fd = PyLong_AsInt(number);
        Py_DECREF(number);
    }
    if (fd == -1 && PyErr_Occurred()) return -1;
    if (fd < 0) {
        PyErr_Format(PyExc_ValueError, "file descriptor cannot be a negative integer (%i)", fd);
        return -1;
    }
    return fd;
}

/* fgets that ends a line at \n, \r or \r\n and hands all of them out as \n. */
char *Py_UniversalNewlineFgets(char *buffer, int size, FILE *stream, PyObject *object)
{
    if (object) {
        errno = ENXIO;
        return NULL;
    }
    char *p = buffer;
    int c = 0;
    flockfile(stream);
    while (--size > 0 && (c = getc_unlocked(stream)) != EOF) {
        if (c == '\r') {
            c = '\n';
            int next = getc_unlocked(stream);
            if (next != '\n' && next != EOF) ungetc(next, stream);
        }
        *p++ = (char)c;
        if (c == '\n') break;
    }
    funlockfile(stream);
    *p = 0;
    return p == buffer ? NULL : buffer;
}

/* ---- io.open_code ----------------------------------------------------------------------------------------------- */

int PyFile_SetOpenCodeHook(Py_OpenCodeHookFunction hook, void *data)
{
    if (Py_IsInitialized() && PySys_Audit("setopencodehook", NULL) < 0) return -1;
    if (P->open_code_hook) {
        if (Py_IsInitialized()) PyErr_SetString(PyExc_SystemError, "failed to change existing open_code hook");
        return -1;
    }
    P->open_code_hook = hook;
    P->open_code_data = data;
    return 0;
}

PyObject *PyFile_OpenCodeObject(PyObject *path)
{
    if (!PyUnicode_Check(path)) {
        PyErr_Format(PyExc_TypeError, "'path' must be 'str', not '%.200s'", Py_TYPE(path)->tp_name);
        return NULL;
    }
    if (P->open_code_hook) return P->open_code_hook(path, P->open_code_data);
    PyObject *io = PyImport_ImportModule("_io");
    if (!io) return NULL;
    PyObject *file = PyObject_CallMethod(io, "open", "Os", path, "rb");
    Py_DECREF(io);
    return file;
}

PyObject *PyFile_OpenCode(const char *utf8path)
{
    PyObject *path = PyUnicode_FromString(utf8path);
    if (!path) return NULL;
    PyObject *file = PyFile_OpenCodeObject(path);
    Py_DECREF(path);
    return file;
}

/* ---- the emergency printer -------------------------------------------------------------------------------------- */

typedef struct StdPrinter { PyObject_HEAD int fd; } StdPrinter;

PyObject *PyFile_NewStdPrinter(int fd)
{
    if (fd != fileno(stdout) && fd != fileno(stderr)) {
        PyErr_BadInternalCall();
        return NULL;
    }
    StdPrinter *printer = PyObject_New(StdPrinter, &PyStdPrinter_Type);
    if (printer) printer->fd = fd;
    return (PyObject *)printer;
}

static PyObject *printer_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyErr_SetString(PyExc_TypeError, "cannot create 'stderrprinter' instances");
    return NULL;
}

static PyObject *printer_write(PyObject *self, PyObject *text)
{
    StdPrinter *printer = (StdPrinter *)self;
    if (printer->fd < 0) Py_RETURN_NONE;
    if (!PyUnicode_Check(text)) {
        PyErr_Format(PyExc_TypeError, "write() argument 1 must be str, not %.50s", Py_TYPE(text)->tp_name);
        return NULL;
    }
    PyObject *bytes = NULL;
    Py_ssize_t size;
    const char *data = PyUnicode_AsUTF8AndSize(text, &size);
    if (!data) {
        PyErr_Clear();
        bytes = PyUnicode_AsEncodedString(text, "utf-8", "backslashreplace");
        if (!bytes) return NULL;
        data = PyBytes_AS_STRING(bytes);
        size = PyBytes_GET_SIZE(bytes);
    }
    Py_ssize_t done = 0;
    int error = 0;
    Py_BEGIN_ALLOW_THREADS
    while (done < size) {
        ssize_t n = write(printer->fd, data + done, (size_t)(size - done));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) { error = errno; break; }
        done += n;
    }
    Py_END_ALLOW_THREADS
    Py_XDECREF(bytes);
    if (error && error != EAGAIN) {
        errno = error;
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    return PyLong_FromSsize_t(done);
}

static PyObject *printer_fileno(PyObject *self, PyObject *Py_UNUSED(ignored)) { return PyLong_FromLong(((StdPrinter *)self)->fd); }
static PyObject *printer_none(PyObject *Py_UNUSED(self), PyObject *Py_UNUSED(ignored)) { Py_RETURN_NONE; }

static PyObject *printer_isatty(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    int fd = ((StdPrinter *)self)->fd;
    return PyBool_FromLong(fd >= 0 && isatty(fd));
}

static PyObject *printer_repr(PyObject *self)
{
    return PyUnicode_FromFormat("<stdprinter(fd=%d) object at %p>", ((StdPrinter *)self)->fd, self);
}

static PyObject *printer_closed(PyObject *Py_UNUSED(self), void *Py_UNUSED(closure)) { Py_RETURN_FALSE; }
static PyObject *printer_encoding(PyObject *Py_UNUSED(self), void *Py_UNUSED(closure)) { Py_RETURN_NONE; }
static PyObject *printer_mode(PyObject *Py_UNUSED(self), void *Py_UNUSED(closure)) { return PyUnicode_FromString("w"); }

static PyMethodDef printer_methods[] = {
    {"close", printer_none, METH_NOARGS, ""}, {"flush", printer_none, METH_NOARGS, ""},
    {"fileno", printer_fileno, METH_NOARGS, ""}, {"isatty", printer_isatty, METH_NOARGS, ""},
    {"write", printer_write, METH_O, ""}, {0}
};

static PyGetSetDef printer_getset[] = {
    {"closed", printer_closed, NULL, "True if the file is closed", NULL},
    {"encoding", printer_encoding, NULL, "Encoding of the file", NULL},
    {"mode", printer_mode, NULL, "String giving the file mode", NULL}, {0}
};

PyTypeObject PyStdPrinter_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "stderrprinter",
    .tp_basicsize = sizeof(StdPrinter),
    .tp_repr = printer_repr,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_methods = printer_methods,
    .tp_getset = printer_getset,
    .tp_new = printer_new,
    .tp_dealloc = (destructor)(void (*)(void))PyObject_Free,
};
