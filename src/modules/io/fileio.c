/* _io.FileIO: unbuffered bytes over a file descriptor. */
#include "io_private.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct FileIo {
    IO_HEAD
    int fd;                                   /* -1: closed or never opened */
    bool created, readable, writable, appending, closefd, finalizing;
    signed char seekable;                     /* -1: not known yet */
    unsigned block_size;
    bool have_stat;                           /* of the file as it was when opened; dropped at the first write */
    struct stat stat;
} FileIo;

#define FILE_IO(o) ((FileIo *)(o))

static PyObject *os_error(void) { return PyErr_SetFromErrno(PyExc_OSError); }

static PyObject *bad_mode(FileIo *self, PyObject *o, const char *action)
{
    return PyErr_Format(io_state_of(o)->unsupported_operation, "File not open for %s", action);
}

bool file_io_exact(IoState *state, PyObject *raw) { return Py_IS_TYPE(raw, state->file_io); }

/* result = call without the GIL, repeated after EINTR; *interrupted when a signal handler raised. */
#define RETRY(result, call, interrupted)                                                                                \
    do {                                                                                                                \
        interrupted = false;                                                                                            \
        PyThreadState *ts_ = PyEval_SaveThread();                                                                       \
        result = call;                                                                                                  \
        int errno_ = errno;                                                                                             \
        PyEval_RestoreThread(ts_);                                                                                      \
        errno = errno_;                                                                                                 \
    } while (result < 0 && errno == EINTR && !(interrupted = PyErr_CheckSignals() < 0))

static PyObject *fileio_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    FileIo *self = (FileIo *)type->tp_alloc(type, 0);
    if (!self) return NULL;
    self->fd = -1;
    self->seekable = -1;
    self->closefd = true;
    return (PyObject *)self;
}

static int internal_close(FileIo *self)
{
    int result = 0, saved = 0;
    if (self->fd >= 0) {
        int fd = self->fd;
        self->fd = -1;
        Py_BEGIN_ALLOW_THREADS
        result = close(fd);
        saved = errno;
        Py_END_ALLOW_THREADS
    }
    self->have_stat = false;
    if (result < 0) {
        errno = saved;
        os_error();
        return -1;
    }
    return 0;
}

static int parse_mode(FileIo *self, const char *mode, int *flags)
{
    int kinds = 0, plus = 0;
    bool bad = false;
    *flags = 0;
    for (const char *m = mode; *m; m++) {
        switch (*m) {
        case 'x': kinds++; self->created = self->writable = true; *flags |= O_EXCL | O_CREAT; break;
        case 'r': kinds++; self->readable = true; break;
        case 'w': kinds++; self->writable = true; *flags |= O_CREAT | O_TRUNC; break;
        case 'a': kinds++; self->writable = self->appending = true; *flags |= O_APPEND | O_CREAT; break;
        case 'b': break;
        case '+': if (plus++) bad = true; self->readable = self->writable = true; break;
        default: PyErr_Format(PyExc_ValueError, "invalid mode: %.200s", mode); return -1;
        }
        if (kinds > 1) bad = true;
    }
    if (bad || kinds != 1) {
        PyErr_SetString(PyExc_ValueError, "Must have exactly one of create/read/write/append mode and at most one plus");
        return -1;
    }
    *flags |= self->readable && self->writable ? O_RDWR : self->readable ? O_RDONLY : O_WRONLY;
    *flags |= O_CLOEXEC;
    return 0;
}

static int open_with_opener(FileIo *self, PyObject *opener, PyObject *name, int flags)
{
    PyObject *fd = PyObject_CallFunction(opener, "Oi", name, flags);
    if (!fd) return -1;
    self->fd = PyLong_AsInt(fd);
    Py_DECREF(fd);
    if (self->fd < 0) {
        if (!PyErr_Occurred()) PyErr_Format(PyExc_ValueError, "opener returned %d", self->fd);
        return -1;
    }
    int have = fcntl(self->fd, F_GETFD);
    if (have < 0 || fcntl(self->fd, F_SETFD, have | FD_CLOEXEC) < 0) {
        os_error();
        return -1;
    }
    return 0;
}

static off_t raw_seek(FileIo *self, off_t offset, int whence)
{
    Py_BEGIN_ALLOW_THREADS
    offset = lseek(self->fd, offset, whence);
    Py_END_ALLOW_THREADS
    if (self->seekable < 0) self->seekable = offset >= 0;
    if (offset < 0) os_error();
    return offset;
}

SIGNATURE(fileio_signature, "FileIO", KEYWORDS, "(file, mode='r', closefd=True, opener=None)");

static int fileio_init(PyObject *o, PyObject *args, PyObject *kwargs)
{
    FileIo *self = FILE_IO(o);
    PyObject *arg[4], *path = NULL;
    const char *mode = "r";
    int flags, fd = -1;
    bool own = false;

    if (args_bind_tuple(&fileio_signature, args, kwargs, arg) < 0) return -1;
    if (arg[1]) {
        if (!PyUnicode_Check(arg[1])) {
            PyErr_Format(PyExc_TypeError, "FileIO() argument 'mode' must be str, not %T", arg[1]);
            return -1;
        }
        if (!(mode = PyUnicode_AsUTF8(arg[1]))) return -1;
        if (strlen(mode) != (size_t)PyUnicode_GET_LENGTH(arg[1])) {
            PyErr_SetString(PyExc_ValueError, "embedded null character");
            return -1;
        }
    }
    int closefd = arg[2] ? PyObject_IsTrue(arg[2]) : 1;
    if (closefd < 0) return -1;
    PyObject *opener = arg[3] && arg[3] != Py_None ? arg[3] : NULL;

    if (self->fd >= 0) {
        if (self->closefd) {
            if (internal_close(self) < 0) return -1;
        }
        else self->fd = -1;
    }
    if (PyBool_Check(arg[0]) && PyErr_WarnEx(PyExc_RuntimeWarning, "bool is used as a file descriptor", 1) < 0) return -1;
    fd = PyLong_Check(arg[0]) || PyIndex_Check(arg[0]) ? PyLong_AsInt(arg[0]) : -1;
    bool no_descriptor = fd == -1 && PyErr_Occurred();     /* too large: then it is no path either, says the converter below */
    if (no_descriptor) PyErr_Clear();
    if (fd < 0 && !no_descriptor && (PyLong_Check(arg[0]) || PyIndex_Check(arg[0]))) {
        PyErr_SetString(PyExc_ValueError, "negative file descriptor");
        return -1;
    }
    if (fd < 0 && !PyUnicode_FSConverter(arg[0], &path)) return -1;

    self->created = self->readable = self->writable = self->appending = false;
    self->seekable = -1;
    self->closefd = closefd;
    if (parse_mode(self, mode, &flags) < 0) goto fail;
    if (PySys_Audit("open", "Osi", arg[0], mode, flags) < 0) goto fail;

    if (fd >= 0) self->fd = fd;
    else {
        if (!closefd) {
            PyErr_SetString(PyExc_ValueError, "Cannot use closefd=False with file name");
            goto fail;
        }
        own = true;
        if (opener) {
            if (open_with_opener(self, opener, arg[0], flags) < 0) goto fail;
        }
        else {
            bool interrupted;
            RETRY(self->fd, open(PyBytes_AS_STRING(path), flags, 0666), interrupted);
            if (interrupted) goto fail;
            if (self->fd < 0) {
                PyErr_SetFromErrnoWithFilenameObject(PyExc_OSError, arg[0]);
                goto fail;
            }
        }
    }
    int result;
    Py_BEGIN_ALLOW_THREADS
    result = fstat(self->fd, &self->stat);
    Py_END_ALLOW_THREADS
    self->have_stat = result == 0;
    if (result < 0 && errno == EBADF) {
        if (!own) self->fd = -1;
        PyErr_SetFromErrnoWithFilenameObject(PyExc_OSError, arg[0]);
        goto fail;
    }
    if (self->have_stat && S_ISDIR(self->stat.st_mode)) {
        errno = EISDIR;
        PyErr_SetFromErrnoWithFilenameObject(PyExc_OSError, arg[0]);
        goto fail;
    }
    self->block_size = self->have_stat && self->stat.st_blksize > 1 ? (unsigned)self->stat.st_blksize : DEFAULT_BUFFER_SIZE;
    if (PyObject_SetAttrString(o, "name", arg[0]) < 0) goto fail;
    if (self->appending && raw_seek(self, 0, SEEK_END) < 0) {
        /* pipes and the like: appending is all they can do anyway */
        if (!PyErr_ExceptionMatches(PyExc_OSError) || errno != ESPIPE) goto fail;
        PyErr_Clear();
    }
    Py_XDECREF(path);
    return 0;
fail:
    Py_XDECREF(path);
    if (!own) self->fd = -1;
    if (self->fd >= 0) {
        PyObject *error = PyErr_GetRaisedException();
        internal_close(self);
        PyErr_Clear();
        PyErr_SetRaisedException(error);
    }
    return -1;
}

/* ---- closing ---------------------------------------------------------------------------------------------------------------- */

static void file_io_dealloc_warn(PyObject *o, PyObject *source)
{
    FileIo *self = FILE_IO(o);
    if (self->fd < 0 || !self->closefd) return;
    PyObject *pending = PyErr_GetRaisedException();
    if (PyErr_ResourceWarning(source, 1, "unclosed file %R", source) && PyErr_ExceptionMatches(PyExc_Warning)) PyErr_WriteUnraisable(o);
    PyErr_SetRaisedException(pending);
}

BUILTIN_O(fileio, _dealloc_warn, "($self, source, /)", "")
{
    file_io_dealloc_warn(self, arg);
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(fileio, close, "($self, /)", "Close the file. It may be closed several times; with closefd=False the descriptor stays open.")
{
    FileIo *file = FILE_IO(self);
    PyObject *result = PyObject_CallMethod((PyObject *)io_state_of(self)->raw_io_base, "close", "O", self);
    if (!file->closefd) {
        file->fd = -1;
        return result;
    }
    PyObject *error = result ? NULL : PyErr_GetRaisedException();
    if (file->finalizing) file_io_dealloc_warn(self, self);
    int status = internal_close(file);
    if (error) {
        if (status < 0) {
            PyObject *later = PyErr_GetRaisedException();
            PyException_SetContext(later, error);
            PyErr_SetRaisedException(later);
        }
        else PyErr_SetRaisedException(error);
        return NULL;
    }
    if (status < 0) Py_CLEAR(result);
    return result;
}

static void fileio_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    FILE_IO(self)->finalizing = true;
    if (PyObject_CallFinalizerFromDealloc(self) < 0) return;
    PyObject_GC_UnTrack(self);
    if (FILE_IO(self)->weakrefs) PyObject_ClearWeakRefs(self);
    Py_CLEAR(FILE_IO(self)->dict);
    type->tp_free(self);
    Py_DECREF(type);
}

static int fileio_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(FILE_IO(self)->dict);
    return 0;
}

static int fileio_clear(PyObject *self)
{
    Py_CLEAR(FILE_IO(self)->dict);
    return 0;
}

#define CHECK_OPEN(self) do { if (FILE_IO(self)->fd < 0) { PyErr_SetString(PyExc_ValueError, "I/O operation on closed file"); return NULL; } } while (0)

/* ---- questions ---------------------------------------------------------------------------------------------------------------- */

BUILTIN_NOARGS(fileio, fileno, "($self, /)", "Return the underlying file descriptor (an integer).")
{
    CHECK_OPEN(self);
    return PyLong_FromLong(FILE_IO(self)->fd);
}

BUILTIN_NOARGS(fileio, readable, "($self, /)", "True if file was opened in a read mode.")
{
    CHECK_OPEN(self);
    return PyBool_FromLong(FILE_IO(self)->readable);
}

BUILTIN_NOARGS(fileio, writable, "($self, /)", "True if file was opened in a write mode.")
{
    CHECK_OPEN(self);
    return PyBool_FromLong(FILE_IO(self)->writable);
}

BUILTIN_NOARGS(fileio, seekable, "($self, /)", "True if file supports random-access.")
{
    CHECK_OPEN(self);
    if (FILE_IO(self)->seekable < 0 && raw_seek(FILE_IO(self), 0, SEEK_CUR) < 0) PyErr_Clear();
    return PyBool_FromLong(FILE_IO(self)->seekable);
}

BUILTIN_NOARGS(fileio, isatty, "($self, /)", "True if the file is connected to a TTY device.")
{
    int result;
    CHECK_OPEN(self);
    Py_BEGIN_ALLOW_THREADS
    result = isatty(FILE_IO(self)->fd);
    Py_END_ALLOW_THREADS
    return PyBool_FromLong(result);
}

BUILTIN_NOARGS(fileio, _isatty_open_only, "($self, /)", "Cheaper isatty() right after opening: what is no character device is no terminal.")
{
    if (FILE_IO(self)->have_stat && !S_ISCHR(FILE_IO(self)->stat.st_mode)) Py_RETURN_FALSE;
    return fileio_isatty(self, NULL);
}

/* ---- reading and writing -------------------------------------------------------------------------------------------------------- */

enum { TRANSFER_MAX = 0x7ffff000 };

static PyObject *count_or_none(ssize_t n, bool interrupted)
{
    if (interrupted) return NULL;
    if (n >= 0) return PyLong_FromSsize_t(n);
    if (errno == EAGAIN) Py_RETURN_NONE;
    return os_error();
}

BUILTIN_O(fileio, readinto, "($self, buffer, /)", "Same as RawIOBase.readinto().")
{
    Py_buffer buffer;
    ssize_t n;
    bool interrupted;
    CHECK_OPEN(self);
    if (!FILE_IO(self)->readable) return bad_mode(FILE_IO(self), self, "reading");
    if (!PyArg_Parse(arg, "w*", &buffer)) return NULL;
    size_t length = buffer.len > TRANSFER_MAX ? TRANSFER_MAX : (size_t)buffer.len;
    RETRY(n, read(FILE_IO(self)->fd, buffer.buf, length), interrupted);
    int saved = errno;
    PyBuffer_Release(&buffer);
    errno = saved;
    return count_or_none(n, interrupted);
}

BUILTIN_NOARGS(fileio, readall, "($self, /)", "Read all data from the file, returned as bytes; None when it is non-blocking and empty.")
{
    FileIo *file = FILE_IO(self);
    CHECK_OPEN(self);
    if (!file->readable) return bad_mode(file, self, "reading");
    Py_ssize_t size = SMALL_CHUNK;
    struct stat st;
    int result;
    off_t position;
    Py_BEGIN_ALLOW_THREADS
    result = fstat(file->fd, &st);
    position = result == 0 && S_ISREG(st.st_mode) ? lseek(file->fd, 0, SEEK_CUR) : -1;
    Py_END_ALLOW_THREADS
    if (position >= 0 && st.st_size >= position) {
        if (st.st_size - position >= PY_SSIZE_T_MAX) return PyErr_Format(PyExc_OverflowError, "unbounded read returned more bytes than a Python bytes object can hold");
        size = (Py_ssize_t)(st.st_size - position) + 1;        /* one more, so that one read sees the end */
    }
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, size);
    Py_ssize_t have = 0;
    while (bytes) {
        ssize_t n;
        bool interrupted;
        if (have == size) {
            size += size > 65536 ? size >> 3 : 256 + size;
            if (_PyBytes_Resize(&bytes, size) < 0) return NULL;
        }
        size_t length = size - have > TRANSFER_MAX ? TRANSFER_MAX : (size_t)(size - have);
        RETRY(n, read(file->fd, PyBytes_AS_STRING(bytes) + have, length), interrupted);
        if (n == 0) break;
        if (interrupted || n < 0) {
            if (!interrupted && errno == EAGAIN) {
                if (have) break;
                Py_DECREF(bytes);
                Py_RETURN_NONE;
            }
            Py_DECREF(bytes);
            return interrupted ? NULL : os_error();
        }
        have += n;
    }
    if (bytes && have != size) _PyBytes_Resize(&bytes, have);
    return bytes;
}

BUILTIN(fileio, read, POSITIONAL, "($self, size=-1, /)", "Read at most size bytes, returned as bytes, in one system call.")
{
    Py_ssize_t size = -1;
    ssize_t n;
    bool interrupted;
    CHECK_OPEN(self);
    if (!FILE_IO(self)->readable) return bad_mode(FILE_IO(self), self, "reading");
    if (io_optional_size(arg[0], &size) < 0) return NULL;
    if (size < 0) return fileio_readall(self, NULL);
    if (size > TRANSFER_MAX) size = TRANSFER_MAX;
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, size);
    if (!bytes) return NULL;
    RETRY(n, read(FILE_IO(self)->fd, PyBytes_AS_STRING(bytes), (size_t)size), interrupted);
    if (interrupted || n < 0) {
        int saved = errno;
        Py_DECREF(bytes);
        errno = saved;
        return count_or_none(n, interrupted);
    }
    if (n != size) _PyBytes_Resize(&bytes, n);
    return bytes;
}

BUILTIN_O(fileio, write, "($self, b, /)", "Write buffer b to file, return number of bytes written; None when it would block.")
{
    Py_buffer buffer;
    ssize_t n;
    bool interrupted;
    CHECK_OPEN(self);
    if (!FILE_IO(self)->writable) return bad_mode(FILE_IO(self), self, "writing");
    if (PyUnicode_Check(arg)) return PyErr_Format(PyExc_TypeError, "a bytes-like object is required, not 'str'");
    if (PyObject_GetBuffer(arg, &buffer, PyBUF_SIMPLE) < 0) return NULL;
    FILE_IO(self)->have_stat = false;
    size_t length = buffer.len > TRANSFER_MAX ? TRANSFER_MAX : (size_t)buffer.len;
    RETRY(n, write(FILE_IO(self)->fd, buffer.buf, length), interrupted);
    int saved = errno;
    PyBuffer_Release(&buffer);
    errno = saved;
    return count_or_none(n, interrupted);
}

BUILTIN(fileio, seek, POSITIONAL, "($self, pos, whence=0, /)", "Move to new file position and return the file position.")
{
    int whence = 0;
    CHECK_OPEN(self);
    if (arg[1] && (whence = PyLong_AsInt(arg[1])) == -1 && PyErr_Occurred()) return NULL;
    if (PyFloat_Check(arg[0])) return PyErr_Format(PyExc_TypeError, "an integer is required");
    off_t offset = io_offset(arg[0], PyExc_OverflowError);
    if (offset == -1 && PyErr_Occurred()) return NULL;
    offset = raw_seek(FILE_IO(self), offset, whence);
    return offset < 0 ? NULL : PyLong_FromLongLong(offset);
}

BUILTIN_NOARGS(fileio, tell, "($self, /)", "Current file position. Can raise OSError for non seekable files.")
{
    CHECK_OPEN(self);
    off_t offset = raw_seek(FILE_IO(self), 0, SEEK_CUR);
    return offset < 0 ? NULL : PyLong_FromLongLong(offset);
}

BUILTIN(fileio, truncate, POSITIONAL, "($self, size=None, /)", "Truncate the file to at most size bytes and return the truncated size.")
{
    int result;
    CHECK_OPEN(self);
    if (!FILE_IO(self)->writable) return bad_mode(FILE_IO(self), self, "writing");
    PyObject *size = arg[0] && arg[0] != Py_None ? Py_NewRef(arg[0]) : fileio_tell(self, NULL);
    if (!size) return NULL;
    off_t length = io_offset(size, PyExc_OverflowError);
    if (length == -1 && PyErr_Occurred()) {
        Py_DECREF(size);
        return NULL;
    }
    Py_BEGIN_ALLOW_THREADS
    errno = 0;
    result = ftruncate(FILE_IO(self)->fd, length);
    Py_END_ALLOW_THREADS
    if (result < 0) {
        os_error();
        Py_CLEAR(size);
    }
    return size;
}

/* ---- attributes -------------------------------------------------------------------------------------------------------------------- */

static const char *mode_text(FileIo *self)
{
    if (self->created) return self->readable ? "xb+" : "xb";
    if (self->appending) return self->readable ? "ab+" : "ab";
    if (self->readable) return self->writable ? "rb+" : "rb";
    return "wb";
}

static PyObject *fileio_get_closed(PyObject *self, void *closure) { return PyBool_FromLong(FILE_IO(self)->fd < 0); }
static PyObject *fileio_get_closefd(PyObject *self, void *closure) { return PyBool_FromLong(FILE_IO(self)->closefd); }
static PyObject *fileio_get_mode(PyObject *self, void *closure) { return PyUnicode_FromString(mode_text(FILE_IO(self))); }
static PyObject *fileio_get_blksize(PyObject *self, void *closure) { return PyLong_FromUnsignedLong(FILE_IO(self)->block_size); }

static PyObject *fileio_repr(PyObject *self)
{
    FileIo *file = FILE_IO(self);
    const char *type = Py_TYPE(self)->tp_name;
    if (file->fd < 0) return PyUnicode_FromFormat("<%.100s [closed]>", type);
    PyObject *name, *repr = NULL;
    if (PyObject_GetOptionalAttrString(self, "name", &name) < 0) return NULL;
    const char *closefd = file->closefd ? "True" : "False";
    if (!name) return PyUnicode_FromFormat("<%.100s fd=%d mode='%s' closefd=%s>", type, file->fd, mode_text(file), closefd);
    int status = Py_ReprEnter(self);
    if (status == 0) {
        repr = PyUnicode_FromFormat("<%.100s name=%R mode='%s' closefd=%s>", type, name, mode_text(file), closefd);
        Py_ReprLeave(self);
    }
    else if (status > 0) PyErr_Format(PyExc_RuntimeError, "reentrant call inside %s.__repr__", type);
    Py_DECREF(name);
    return repr;
}

static PyObject *fileio_getstate(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return PyErr_Format(PyExc_TypeError, "cannot pickle '%s' object", _PyType_Name(Py_TYPE(self)));
}

static PyMethodDef fileio_methods[] = {
    METHOD(fileio, read), METHOD(fileio, readall), METHOD(fileio, readinto), METHOD(fileio, write), METHOD(fileio, seek),
    METHOD(fileio, tell), METHOD(fileio, truncate), METHOD(fileio, close), METHOD(fileio, seekable), METHOD(fileio, readable),
    METHOD(fileio, writable), METHOD(fileio, fileno), METHOD(fileio, isatty), METHOD(fileio, _isatty_open_only),
    METHOD(fileio, _dealloc_warn),
    { "__getstate__", fileio_getstate, METH_NOARGS, NULL },
    { 0 }
};

static PyGetSetDef fileio_getset[] = {
    { "closed", fileio_get_closed, NULL, "True if the file is closed", NULL },
    { "closefd", fileio_get_closefd, NULL, "True if the file descriptor will be closed by close().", NULL },
    { "mode", fileio_get_mode, NULL, "String giving the file mode", NULL },
    { "_blksize", fileio_get_blksize, NULL, "Preferred block size", NULL },
    { 0 }
};

static PyMemberDef fileio_members[] = {
    { "_finalizing", Py_T_BOOL, offsetof(FileIo, finalizing), 0, NULL },
    { "__weaklistoffset__", Py_T_PYSSIZET, offsetof(FileIo, weakrefs), Py_READONLY, NULL },
    { "__dictoffset__", Py_T_PYSSIZET, offsetof(FileIo, dict), Py_READONLY, NULL },
    { 0 }
};

static PyType_Slot fileio_slots[] = {
    { Py_tp_doc, "FileIO(file, mode='r', closefd=True, opener=None)\n--\n\nOpen a file: a name, or a descriptor that closefd says to close." },
    { Py_tp_new, fileio_new }, { Py_tp_init, fileio_init }, { Py_tp_dealloc, fileio_dealloc }, { Py_tp_traverse, fileio_traverse },
    { Py_tp_clear, fileio_clear }, { Py_tp_repr, fileio_repr },
    { Py_tp_methods, fileio_methods }, { Py_tp_getset, fileio_getset }, { Py_tp_members, fileio_members },
    { 0, NULL }
};

PyType_Spec file_io_spec = {
    "_io.FileIO", sizeof(FileIo), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE, fileio_slots
};
