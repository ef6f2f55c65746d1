/* The fcntl module: fcntl, ioctl, flock and lockf on file descriptors. */
#include "capi/args.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { BUFFER_SIZE = 1024 };

static PyObject *os_error(void) { return PyErr_SetFromErrno(PyExc_OSError); }

/* result = call without the GIL, again after EINTR; jumps to `out` when a signal handler raised. */
#define RETRY(result, call, interrupted)                                                                                \
    do {                                                                                                                \
        interrupted = false;                                                                                            \
        PyThreadState *ts_ = PyEval_SaveThread();                                                                       \
        result = call;                                                                                                  \
        int errno_ = errno;                                                                                             \
        PyEval_RestoreThread(ts_);                                                                                      \
        errno = errno_;                                                                                                 \
    } while (result == -1 && errno == EINTR && !(interrupted = PyErr_CheckSignals() < 0))

BUILTIN(fcntl, fcntl, POSITIONAL, "($module, fd, cmd, arg=0, /)",
        "Perform the operation cmd on file descriptor fd; arg is an integer, or bytes that are copied, changed and returned.")
{
    int fd = PyObject_AsFileDescriptor(arg[0]), command, result;
    bool interrupted;
    if (fd < 0 || ((command = PyLong_AsInt(arg[1])) == -1 && PyErr_Occurred())) return NULL;
    if (PySys_Audit("fcntl.fcntl", "iiO", fd, command, arg[2] ? arg[2] : Py_None) < 0) return NULL;
    if (arg[2] && !PyLong_Check(arg[2]) && (PyUnicode_Check(arg[2]) || PyObject_CheckBuffer(arg[2]))) {
        char buffer[BUFFER_SIZE];
        Py_buffer view;
        if (PyUnicode_Check(arg[2])) {
            Py_ssize_t n;
            const char *text = PyUnicode_AsUTF8AndSize(arg[2], &n);
            if (!text || PyBuffer_FillInfo(&view, NULL, (void *)text, n, 1, PyBUF_SIMPLE) < 0) return NULL;
        }
        else if (PyObject_GetBuffer(arg[2], &view, PyBUF_SIMPLE) < 0) return NULL;
        Py_ssize_t n = view.len;
        if (n > BUFFER_SIZE) {
            PyBuffer_Release(&view);
            PyErr_SetString(PyExc_ValueError, "fcntl string arg too long");
            return NULL;
        }
        memcpy(buffer, view.buf, (size_t)n);
        PyBuffer_Release(&view);
        RETRY(result, fcntl(fd, command, buffer), interrupted);
        if (interrupted) return NULL;
        return result < 0 ? os_error() : PyBytes_FromStringAndSize(buffer, n);
    }
    unsigned long number = 0;
    if (arg[2]) {
        number = PyLong_AsUnsignedLongMask(arg[2]);
        if (number == (unsigned long)-1 && PyErr_Occurred()) return NULL;
    }
    RETRY(result, fcntl(fd, command, (int)number), interrupted);
    if (interrupted) return NULL;
    return result < 0 ? os_error() : PyLong_FromLong(result);
}

/* A writable buffer is changed in place (by way of a copy when it is small); other bytes are copied and returned. */
static PyObject *ioctl_buffer(int fd, unsigned long request, PyObject *target, bool mutate)
{
    char copy[BUFFER_SIZE + 1];
    Py_buffer view;
    int result;
    if (mutate && PyObject_GetBuffer(target, &view, PyBUF_WRITABLE) == 0) {
        void *data = view.buf;
        if (view.len <= BUFFER_SIZE) {
            memcpy(copy, view.buf, (size_t)view.len);
            copy[view.len] = '\0';
            data = copy;
        }
        Py_BEGIN_ALLOW_THREADS
        result = ioctl(fd, request, data);
        Py_END_ALLOW_THREADS
        int saved = errno;
        if (data == copy) memcpy(view.buf, copy, (size_t)view.len);
        PyBuffer_Release(&view);
        errno = saved;
        return result < 0 ? os_error() : PyLong_FromLong(result);
    }
    PyErr_Clear();
    if (PyObject_GetBuffer(target, &view, PyBUF_SIMPLE) < 0) return NULL;
    Py_ssize_t n = view.len;
    if (n > BUFFER_SIZE) {
        PyBuffer_Release(&view);
        PyErr_SetString(PyExc_ValueError, "ioctl string arg too long");
        return NULL;
    }
    memcpy(copy, view.buf, (size_t)n);
    copy[n] = '\0';
    PyBuffer_Release(&view);
    Py_BEGIN_ALLOW_THREADS
    result = ioctl(fd, request, copy);
    Py_END_ALLOW_THREADS
    return result < 0 ? os_error() : PyBytes_FromStringAndSize(copy, n);
}

BUILTIN(fcntl, ioctl, POSITIONAL, "($module, fd, request, arg=0, mutate_flag=True, /)",
        "Perform the operation request on file descriptor fd; arg is an integer or a buffer, changed in place unless mutate_flag is false.")
{
    int fd = PyObject_AsFileDescriptor(arg[0]), mutate = arg[3] ? PyObject_IsTrue(arg[3]) : 1, result;
    if (fd < 0 || mutate < 0) return NULL;
    unsigned long request = PyLong_AsUnsignedLongMask(arg[1]);
    if (request == (unsigned long)-1 && PyErr_Occurred()) return NULL;
    if (PySys_Audit("fcntl.ioctl", "ikO", fd, request, arg[2] ? arg[2] : Py_None) < 0) return NULL;
    if (arg[2] && !PyLong_Check(arg[2])) {
        if (PyUnicode_Check(arg[2])) {
            PyObject *bytes = PyUnicode_AsUTF8String(arg[2]), *o = bytes ? ioctl_buffer(fd, request, bytes, false) : NULL;
            Py_XDECREF(bytes);
            return o;
        }
        if (PyObject_CheckBuffer(arg[2])) return ioctl_buffer(fd, request, arg[2], mutate);
    }
    unsigned long number = 0;
    if (arg[2]) {
        number = PyLong_AsUnsignedLongMask(arg[2]);
        if (number == (unsigned long)-1 && PyErr_Occurred()) {
            if (PyErr_ExceptionMatches(PyExc_TypeError))
                PyErr_Format(PyExc_TypeError, "ioctl requires a file or file descriptor, an integer and optionally an integer or buffer argument");
            return NULL;
        }
    }
    Py_BEGIN_ALLOW_THREADS
    result = ioctl(fd, request, number);
    Py_END_ALLOW_THREADS
    return result < 0 ? os_error() : PyLong_FromLong(result);
}

BUILTIN(fcntl, flock, POSITIONAL, "($module, fd, operation, /)", "Perform the lock operation on file descriptor fd.")
{
    int fd = PyObject_AsFileDescriptor(arg[0]), operation, result;
    bool interrupted;
    if (fd < 0 || ((operation = PyLong_AsInt(arg[1])) == -1 && PyErr_Occurred())) return NULL;
    if (PySys_Audit("fcntl.flock", "ii", fd, operation) < 0) return NULL;
    RETRY(result, flock(fd, operation), interrupted);
    if (interrupted) return NULL;
    if (result < 0) return os_error();
    Py_RETURN_NONE;
}

BUILTIN(fcntl, lockf, POSITIONAL, "($module, fd, cmd, len=0, start=0, whence=0, /)",
        "A wrapper around the fcntl() locking calls: cmd is LOCK_UN, LOCK_SH or LOCK_EX, with LOCK_NB not to wait.")
{
    int fd = PyObject_AsFileDescriptor(arg[0]), code, whence = 0, result;
    bool interrupted;
    struct flock lock = { 0 };
    if (fd < 0 || ((code = PyLong_AsInt(arg[1])) == -1 && PyErr_Occurred())) return NULL;
    if (arg[4] && (whence = PyLong_AsInt(arg[4])) == -1 && PyErr_Occurred()) return NULL;
    if (PySys_Audit("fcntl.lockf", "iiOOi", fd, code, arg[2] ? arg[2] : Py_None, arg[3] ? arg[3] : Py_None, whence) < 0) return NULL;
    if (code == LOCK_UN) lock.l_type = F_UNLCK;
    else if (code & LOCK_SH) lock.l_type = F_RDLCK;
    else if (code & LOCK_EX) lock.l_type = F_WRLCK;
    else {
        PyErr_SetString(PyExc_ValueError, "unrecognized lockf argument");
        return NULL;
    }
    if (arg[3] && (lock.l_start = PyLong_AsLongLong(arg[3])) == -1 && PyErr_Occurred()) return NULL;
    if (arg[2] && (lock.l_len = PyLong_AsLongLong(arg[2])) == -1 && PyErr_Occurred()) return NULL;
    lock.l_whence = (short)whence;
    RETRY(result, fcntl(fd, code & LOCK_NB ? F_SETLK : F_SETLKW, &lock), interrupted);
    if (interrupted) return NULL;
    if (result < 0) return os_error();
    Py_RETURN_NONE;
}

static PyMethodDef fcntl_methods[] = { METHOD(fcntl, fcntl), METHOD(fcntl, ioctl), METHOD(fcntl, flock), METHOD(fcntl, lockf), { 0 } };

static const struct { const char *name; long value; } constants[] = {
    { "DN_ACCESS", DN_ACCESS }, { "DN_ATTRIB", DN_ATTRIB }, { "DN_CREATE", DN_CREATE }, { "DN_DELETE", DN_DELETE },
    { "DN_MODIFY", DN_MODIFY }, { "DN_MULTISHOT", DN_MULTISHOT }, { "DN_RENAME", DN_RENAME }, { "FASYNC", O_ASYNC },
    { "FD_CLOEXEC", FD_CLOEXEC }, { "FICLONE", 1074041865 }, { "FICLONERANGE", 1075876877 }, { "F_ADD_SEALS", F_ADD_SEALS },
    { "F_DUPFD", F_DUPFD }, { "F_DUPFD_CLOEXEC", F_DUPFD_CLOEXEC }, { "F_EXLCK", F_EXLCK }, { "F_GETFD", F_GETFD },
    { "F_GETFL", F_GETFL }, { "F_GETLEASE", F_GETLEASE }, { "F_GETLK", F_GETLK }, { "F_GETLK64", F_GETLK64 },
    { "F_GETOWN", F_GETOWN }, { "F_GETOWN_EX", F_GETOWN_EX }, { "F_GETPIPE_SZ", F_GETPIPE_SZ }, { "F_GETSIG", F_GETSIG },
    { "F_GET_FILE_RW_HINT", F_GET_FILE_RW_HINT }, { "F_GET_RW_HINT", F_GET_RW_HINT }, { "F_GET_SEALS", F_GET_SEALS },
    { "F_NOTIFY", F_NOTIFY }, { "F_OFD_GETLK", F_OFD_GETLK }, { "F_OFD_SETLK", F_OFD_SETLK },
    { "F_OFD_SETLKW", F_OFD_SETLKW }, { "F_OWNER_PGRP", F_OWNER_PGRP }, { "F_OWNER_PID", F_OWNER_PID },
    { "F_OWNER_TID", F_OWNER_TID }, { "F_RDLCK", F_RDLCK }, { "F_SEAL_FUTURE_WRITE", F_SEAL_FUTURE_WRITE },
    { "F_SEAL_GROW", F_SEAL_GROW }, { "F_SEAL_SEAL", F_SEAL_SEAL }, { "F_SEAL_SHRINK", F_SEAL_SHRINK },
    { "F_SEAL_WRITE", F_SEAL_WRITE }, { "F_SETFD", F_SETFD }, { "F_SETFL", F_SETFL }, { "F_SETLEASE", F_SETLEASE },
    { "F_SETLK", F_SETLK }, { "F_SETLK64", F_SETLK64 }, { "F_SETLKW", F_SETLKW }, { "F_SETLKW64", F_SETLKW64 },
    { "F_SETOWN", F_SETOWN }, { "F_SETOWN_EX", F_SETOWN_EX }, { "F_SETPIPE_SZ", F_SETPIPE_SZ }, { "F_SETSIG", F_SETSIG },
    { "F_SET_FILE_RW_HINT", F_SET_FILE_RW_HINT }, { "F_SET_RW_HINT", F_SET_RW_HINT }, { "F_SHLCK", F_SHLCK },
    { "F_UNLCK", F_UNLCK }, { "F_WRLCK", F_WRLCK }, { "LOCK_EX", LOCK_EX }, { "LOCK_MAND", LOCK_MAND },
    { "LOCK_NB", LOCK_NB }, { "LOCK_READ", LOCK_READ }, { "LOCK_RW", LOCK_RW }, { "LOCK_SH", LOCK_SH },
    { "LOCK_UN", LOCK_UN }, { "LOCK_WRITE", LOCK_WRITE }, { "RWH_WRITE_LIFE_EXTREME", RWH_WRITE_LIFE_EXTREME },
    { "RWH_WRITE_LIFE_LONG", RWH_WRITE_LIFE_LONG }, { "RWH_WRITE_LIFE_MEDIUM", RWH_WRITE_LIFE_MEDIUM },
    { "RWH_WRITE_LIFE_NONE", RWH_WRITE_LIFE_NONE }, { "RWH_WRITE_LIFE_NOT_SET", RWH_WRITE_LIFE_NOT_SET },
    { "RWH_WRITE_LIFE_SHORT", RWH_WRITE_LIFE_SHORT },
};

static int fcntl_exec(PyObject *module)
{
    for (size_t i = 0; i < ARRAY_LENGTH(constants); i++)
        if (PyModule_AddIntConstant(module, constants[i].name, constants[i].value) < 0) return -1;
    return 0;
}

static PyModuleDef_Slot fcntl_slots[] = {
    { Py_mod_exec, fcntl_exec }, { Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED }, { 0 }
};
static struct PyModuleDef fcntl_definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "fcntl",
    .m_doc = "File control and I/O control on file descriptors.",
    .m_methods = fcntl_methods,
    .m_slots = fcntl_slots,
};
PyMODINIT_FUNC PyInit_fcntl(void) { return PyModuleDef_Init(&fcntl_definition); }
