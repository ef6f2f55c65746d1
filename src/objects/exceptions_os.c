/* OSError and its subclasses. OSError(errno, ...) makes the subclass that the errno stands for; arguments are taken apart in tp_new
 * for the built-in types and in tp_init for subclasses that define __init__ but not __new__. */
#include "objects/exceptions_private.h"

#define OS(self) ((PyOSErrorObject *)(self))

typedef struct OsArgs { PyObject *number, *strerror, *filename, *filename2; } OsArgs;      /* borrowed */

/* A subclass with __init__ and without __new__ gets its arguments there. */
static bool initialises_itself(PyTypeObject *type)
{
    return type->tp_init != exc_OSError.tp_init && type->tp_new == exc_OSError.tp_new;
}

/* OSError(errno, strerror[, filename[, winerror[, filename2]]]); other numbers of arguments mean nothing special. */
static int parse_args(PyObject *args, OsArgs *out)
{
    Py_ssize_t n = PyTuple_GET_SIZE(args);
    *out = (OsArgs){ NULL, NULL, NULL, NULL };
    if (n < 2 || n > 5) return 0;
    PyObject *winerror;
    return PyArg_UnpackTuple(args, "OSError", 2, 5, &out->number, &out->strerror, &out->filename, &winerror, &out->filename2) ? 0 : -1;
}

/* Fills in self from args; args are cut to (errno, strerror) when there is a file name. */
static int fill(PyObject *self, PyObject *args, const OsArgs *a)
{
    PyObject *shown = args, *cut = NULL;
    if (a->filename && a->filename != Py_None) {
        if (Py_TYPE(self) == (PyTypeObject *)PyExc_BlockingIOError && PyNumber_Check(a->filename)) {
            Py_ssize_t written = PyNumber_AsSsize_t(a->filename, PyExc_ValueError);
            if (written == -1 && PyErr_Occurred()) return -1;
            OS(self)->written = written;                   /* the third argument of BlockingIOError is a count */
        }
        else {
            OS(self)->filename = Py_NewRef(a->filename);
            if (a->filename2 && a->filename2 != Py_None) OS(self)->filename2 = Py_NewRef(a->filename2);
            if (!(cut = PyTuple_GetSlice(args, 0, 2))) return -1;
            shown = cut;
        }
    }
    OS(self)->myerrno = Py_XNewRef(a->number);
    OS(self)->strerror = Py_XNewRef(a->strerror);
    SET_FIELD(BASE(self)->args, Py_NewRef(shown));
    Py_XDECREF(cut);
    return 0;
}

static PyObject *oserror_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    OsArgs a;
    bool later = initialises_itself(type);
    if (!later) {
        if (exception_no_keywords(type, kwargs) < 0 || parse_args(args, &a) < 0) return NULL;
        if (a.number && type == &exc_OSError && PyLong_Check(a.number)) {
            int overflow;
            long number = PyLong_AsLongAndOverflow(a.number, &overflow);
            PyTypeObject *special = overflow ? NULL : oserror_type_for((int)number);
            if (special && number == (int)number) type = special;
        }
    }
    PyObject *self = type->tp_alloc(type, 0);
    if (!self) return NULL;
    OS(self)->written = -1;
    if (later) {
        BASE(self)->args = EMPTY_TUPLE;
        return self;
    }
    if (fill(self, args, &a) < 0) Py_CLEAR(self);
    return self;
}

static int oserror_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    OsArgs a;
    if (!initialises_itself(Py_TYPE(self))) return 0;      /* done in tp_new */
    if (exception_no_keywords(Py_TYPE(self), kwargs) < 0 || parse_args(args, &a) < 0) return -1;
    return fill(self, args, &a);
}

static int oserror_clear(PyObject *self)
{
    Py_CLEAR(OS(self)->myerrno);
    Py_CLEAR(OS(self)->strerror);
    Py_CLEAR(OS(self)->filename);
    Py_CLEAR(OS(self)->filename2);
    return exception_clear(self);
}

static int oserror_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(OS(self)->myerrno);
    Py_VISIT(OS(self)->strerror);
    Py_VISIT(OS(self)->filename);
    Py_VISIT(OS(self)->filename2);
    return exception_traverse(self, visit, arg);
}

static PyObject *or_none(PyObject *o) { return o ? o : Py_None; }

static PyObject *oserror_str(PyObject *self)
{
    PyOSErrorObject *e = OS(self);
    if (e->filename && e->filename2)
        return PyUnicode_FromFormat("[Errno %S] %S: %R -> %R", or_none(e->myerrno), or_none(e->strerror), e->filename, e->filename2);
    if (e->filename) return PyUnicode_FromFormat("[Errno %S] %S: %R", or_none(e->myerrno), or_none(e->strerror), e->filename);
    if (e->myerrno && e->strerror) return PyUnicode_FromFormat("[Errno %S] %S", e->myerrno, e->strerror);
    return exception_str(self);
}

BUILTIN_NOARGS(oserror, __reduce__, "($self, /)", "Type, arguments and state for pickling.")
{
    PyOSErrorObject *e = OS(self);
    PyObject *args = Py_NewRef(e->args), *result;
    if (PyTuple_GET_SIZE(args) == 2 && e->filename) {      /* what fill() cut off */
        PyObject *whole = e->filename2
            ? PyTuple_Pack(5, PyTuple_GET_ITEM(args, 0), PyTuple_GET_ITEM(args, 1), e->filename, Py_None, e->filename2)
            : PyTuple_Pack(3, PyTuple_GET_ITEM(args, 0), PyTuple_GET_ITEM(args, 1), e->filename);
        Py_DECREF(args);
        if (!(args = whole)) return NULL;
    }
    result = e->dict ? PyTuple_Pack(3, Py_TYPE(self), args, e->dict) : PyTuple_Pack(2, Py_TYPE(self), args);
    Py_DECREF(args);
    return result;
}

static PyObject *oserror_get_written(PyObject *self, void *Py_UNUSED(c))
{
    if (OS(self)->written != -1) return PyLong_FromSsize_t(OS(self)->written);
    PyErr_SetString(PyExc_AttributeError, "characters_written");
    return NULL;
}

static int oserror_set_written(PyObject *self, PyObject *value, void *Py_UNUSED(c))
{
    if (!value) {
        if (OS(self)->written == -1) {
            PyErr_SetString(PyExc_AttributeError, "characters_written");
            return -1;
        }
        OS(self)->written = -1;
        return 0;
    }
    Py_ssize_t n = PyNumber_AsSsize_t(value, PyExc_ValueError);
    if (n == -1 && PyErr_Occurred()) return -1;
    OS(self)->written = n;
    return 0;
}

static PyMethodDef oserror_methods[] = { METHOD_UNDOCUMENTED(oserror, __reduce__), { 0 } };

static PyMemberDef oserror_members[] = {
    { "errno", _Py_T_OBJECT, offsetof(PyOSErrorObject, myerrno), 0, "POSIX exception code" },
    { "strerror", _Py_T_OBJECT, offsetof(PyOSErrorObject, strerror), 0, "exception strerror" },
    { "filename", _Py_T_OBJECT, offsetof(PyOSErrorObject, filename), 0, "exception filename" },
    { "filename2", _Py_T_OBJECT, offsetof(PyOSErrorObject, filename2), 0, "second exception filename" },
    { 0 },
};

static PyGetSetDef oserror_getset[] = {
    { "characters_written", oserror_get_written, oserror_set_written, "exception characters written", NULL },
    { 0 },
};

#define OS_SLOTS .tp_dealloc = exception_dealloc, .tp_traverse = oserror_traverse, .tp_clear = oserror_clear, \
                 .tp_init = oserror_init

SPECIAL_EXCEPTION(OSError, exc_Exception, PyOSErrorObject, "Base class for I/O related errors.", OS_SLOTS, .tp_str = oserror_str,
                  .tp_new = oserror_new,
                  .tp_methods = oserror_methods, .tp_members = oserror_members, .tp_getset = oserror_getset)

PyObject *PyExc_EnvironmentError = (PyObject *)&exc_OSError;
PyObject *PyExc_IOError = (PyObject *)&exc_OSError;

#define OS_EXCEPTION(name, base, text) SPECIAL_EXCEPTION(name, base, PyOSErrorObject, text, OS_SLOTS)
OS_EXCEPTION(BlockingIOError, exc_OSError, "I/O operation would block.")
OS_EXCEPTION(ConnectionError, exc_OSError, "Connection error.")
OS_EXCEPTION(ChildProcessError, exc_OSError, "Child process error.")
OS_EXCEPTION(BrokenPipeError, exc_ConnectionError, "Broken pipe.")
OS_EXCEPTION(ConnectionAbortedError, exc_ConnectionError, "Connection aborted.")
OS_EXCEPTION(ConnectionRefusedError, exc_ConnectionError, "Connection refused.")
OS_EXCEPTION(ConnectionResetError, exc_ConnectionError, "Connection reset.")
OS_EXCEPTION(FileExistsError, exc_OSError, "File already exists.")
OS_EXCEPTION(FileNotFoundError, exc_OSError, "File not found.")
OS_EXCEPTION(IsADirectoryError, exc_OSError, "Operation doesn't work on directories.")
OS_EXCEPTION(NotADirectoryError, exc_OSError, "Operation only works on directories.")
OS_EXCEPTION(InterruptedError, exc_OSError, "Interrupted by signal.")
OS_EXCEPTION(PermissionError, exc_OSError, "Not enough permissions.")
OS_EXCEPTION(ProcessLookupError, exc_OSError, "Process not found.")
OS_EXCEPTION(TimeoutError, exc_OSError, "Timeout expired.")
