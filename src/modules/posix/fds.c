/* posix: what is done with file descriptors. */
#include "posix_private.h"

#include <langinfo.h>
#include <pty.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <termios.h>
#include <utmp.h>

enum { READ_MAX = 0x7ffff000 };                       /* what Linux transfers at most in one call */

BUILTIN(posix, open, KEYWORDS, "($module, /, path, flags, mode=511, *, dir_fd=None)",
        "Open a file for low level IO. Returns a file descriptor (integer), not inheritable.")
{
    int flags, mode = 0777, dir_fd, fd;
    bool interrupted;
    Path path;
    if (path_get(&path, "open", "path", arg[0], 0) < 0) return NULL;
    PyObject *o = NULL;
    if (int_get(arg[1], &flags) < 0 || (arg[2] && int_get(arg[2], &mode) < 0) || dir_fd_get(arg[3], &dir_fd) < 0) goto done;
    flags |= O_CLOEXEC;
    if (PySys_Audit("open", "OOi", path.object, Py_None, flags) >= 0) {
        UNLOCKED_RETRY(fd, openat(dir_fd, path.narrow, flags, mode), interrupted);
        if (!interrupted) o = fd < 0 ? path_error(&path) : PyLong_FromLong(fd);
    }
done:
    path_done(&path);
    return o;
}

BUILTIN(posix, close, KEYWORDS, "($module, /, fd)", "Close a file descriptor.")
{
    int fd, result;
    if (int_get(arg[0], &fd) < 0) return NULL;
    UNLOCKED(result, close(fd));                        /* never again after EINTR: the descriptor is gone */
    if (result < 0 && errno == EINTR) Py_RETURN_NONE;
    RETURN_NONE_OR_ERROR(result);
}

BUILTIN(posix, closerange, POSITIONAL, "($module, fd_low, fd_high, /)", "Closes all file descriptors in [fd_low, fd_high), ignoring errors.")
{
    int low, high;
    if (int_get(arg[0], &low) < 0 || int_get(arg[1], &high) < 0) return NULL;
    Py_BEGIN_ALLOW_THREADS
    if (low < 0) low = 0;
    if (high > low && close_range((unsigned)low, (unsigned)high - 1, 0) < 0)
        for (int fd = low; fd < high; fd++) close(fd);
    Py_END_ALLOW_THREADS
    Py_RETURN_NONE;
}

BUILTIN_O(posix, dup, "($module, fd, /)", "Return a duplicate of a file descriptor, not inheritable.")
{
    int fd;
    if (int_get(arg, &fd) < 0) return NULL;
    UNLOCKED(fd, fcntl(fd, F_DUPFD_CLOEXEC, 0));
    return fd < 0 ? posix_error() : PyLong_FromLong(fd);
}

BUILTIN(posix, dup2, KEYWORDS, "($module, /, fd, fd2, inheritable=True)", "Duplicate file descriptor.")
{
    int fd, fd2, result, inheritable = flag_get(arg[2], 1);
    if (inheritable < 0 || int_get(arg[0], &fd) < 0 || int_get(arg[1], &fd2) < 0) return NULL;
    if (fd < 0 || fd2 < 0) {
        errno = EBADF;
        return posix_error();
    }
    if (inheritable) UNLOCKED(result, dup2(fd, fd2));
    else UNLOCKED(result, fd == fd2 ? fd : dup3(fd, fd2, O_CLOEXEC));
    return result < 0 ? posix_error() : PyLong_FromLong(result);
}

BUILTIN(posix, lseek, POSITIONAL, "($module, fd, position, whence, /)", "Set the position of a file descriptor. Return the new position.")
{
    int fd, whence;
    off_t position;
    if (int_get(arg[0], &fd) < 0 || offset_get(arg[1], &position) < 0 || int_get(arg[2], &whence) < 0) return NULL;
    UNLOCKED(position, lseek(fd, position, whence));
    return position < 0 ? posix_error() : PyLong_FromLongLong(position);
}

static int length_get(PyObject *value, Py_ssize_t *length)
{
    *length = PyNumber_AsSsize_t(value, PyExc_OverflowError);
    if (*length == -1 && PyErr_Occurred()) return -1;
    if (*length < 0) {
        errno = EINVAL;
        posix_error();
        return -1;
    }
    if (*length > READ_MAX) *length = READ_MAX;
    return 0;
}

static PyObject *read_result(PyObject *buffer, ssize_t n, bool interrupted)
{
    if (interrupted || n < 0) {
        if (!interrupted) posix_error();
        Py_DECREF(buffer);
        return NULL;
    }
    if (n != PyBytes_GET_SIZE(buffer)) _PyBytes_Resize(&buffer, n);
    return buffer;
}

BUILTIN(posix, read, POSITIONAL, "($module, fd, length, /)", "Read from a file descriptor. Returns a bytes object.")
{
    int fd;
    Py_ssize_t length;
    ssize_t n;
    bool interrupted;
    if (int_get(arg[0], &fd) < 0 || length_get(arg[1], &length) < 0) return NULL;
    PyObject *buffer = PyBytes_FromStringAndSize(NULL, length);
    if (!buffer) return NULL;
    UNLOCKED_RETRY(n, read(fd, PyBytes_AS_STRING(buffer), (size_t)length), interrupted);
    return read_result(buffer, n, interrupted);
}

BUILTIN(posix, pread, POSITIONAL, "($module, fd, length, offset, /)", "Read from a file descriptor at an offset, leaving the position.")
{
    int fd;
    Py_ssize_t length;
    off_t offset;
    ssize_t n;
    bool interrupted;
    if (int_get(arg[0], &fd) < 0 || length_get(arg[1], &length) < 0 || offset_get(arg[2], &offset) < 0) return NULL;
    PyObject *buffer = PyBytes_FromStringAndSize(NULL, length);
    if (!buffer) return NULL;
    UNLOCKED_RETRY(n, pread(fd, PyBytes_AS_STRING(buffer), (size_t)length, offset), interrupted);
    return read_result(buffer, n, interrupted);
}

BUILTIN(posix, write, POSITIONAL, "($module, fd, data, /)", "Write a bytes object to a file descriptor. Returns the number of bytes written.")
{
    int fd;
    Py_buffer data;
    ssize_t n;
    bool interrupted;
    if (int_get(arg[0], &fd) < 0 || PyObject_GetBuffer(arg[1], &data, PyBUF_SIMPLE) < 0) return NULL;
    size_t length = data.len > READ_MAX ? READ_MAX : (size_t)data.len;
    UNLOCKED_RETRY(n, write(fd, data.buf, length), interrupted);
    int saved = errno;
    PyBuffer_Release(&data);
    errno = saved;
    if (interrupted) return NULL;
    return n < 0 ? posix_error() : PyLong_FromSsize_t(n);
}

BUILTIN(posix, pwrite, POSITIONAL, "($module, fd, buffer, offset, /)", "Write bytes to a file descriptor at an offset, leaving the position.")
{
    int fd;
    Py_buffer data;
    off_t offset;
    ssize_t n;
    bool interrupted;
    if (int_get(arg[0], &fd) < 0 || offset_get(arg[2], &offset) < 0 || PyObject_GetBuffer(arg[1], &data, PyBUF_SIMPLE) < 0) return NULL;
    UNLOCKED_RETRY(n, pwrite(fd, data.buf, (size_t)data.len, offset), interrupted);
    int saved = errno;
    PyBuffer_Release(&data);
    errno = saved;
    if (interrupted) return NULL;
    return n < 0 ? posix_error() : PyLong_FromSsize_t(n);
}

/* ---- scattered buffers ------------------------------------------------------------------------------------------------- */

typedef struct Vector { struct iovec *iov; Py_buffer *buffers; int count; } Vector;

static void vector_done(Vector *v)
{
    int saved = errno;
    for (int i = 0; i < v->count; i++) PyBuffer_Release(&v->buffers[i]);
    PyMem_Free(v->iov);
    PyMem_Free(v->buffers);
    errno = saved;
}

static int vector_get(Vector *v, PyObject *sequence, const char *function, int flags)
{
    *v = (Vector){0};
    if (!PySequence_Check(sequence)) {
        PyErr_Format(PyExc_TypeError, "%s() arg 2 must be a sequence", function);
        return -1;
    }
    Py_ssize_t n = PySequence_Size(sequence);
    if (n < 0) return -1;
    if (n > INT_MAX) {
        PyErr_SetString(PyExc_OverflowError, "too many buffers");
        return -1;
    }
    v->iov = PyMem_New(struct iovec, (size_t)n);
    v->buffers = PyMem_New(Py_buffer, (size_t)n);
    if (!v->iov || !v->buffers) {
        vector_done(v);
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *item = PySequence_GetItem(sequence, i);
        if (!item || PyObject_GetBuffer(item, &v->buffers[i], flags) < 0) {
            Py_XDECREF(item);
            vector_done(v);
            return -1;
        }
        Py_DECREF(item);
        v->iov[i] = (struct iovec){ v->buffers[i].buf, (size_t)v->buffers[i].len };
        v->count++;
    }
    return 0;
}

static PyObject *vector_result(Vector *v, ssize_t n, bool interrupted)
{
    vector_done(v);
    if (interrupted) return NULL;
    return n < 0 ? posix_error() : PyLong_FromSsize_t(n);
}

BUILTIN(posix, readv, POSITIONAL, "($module, fd, buffers, /)", "Read from a file descriptor into writable bytes-like objects.")
{
    int fd;
    Vector v;
    ssize_t n;
    bool interrupted;
    if (int_get(arg[0], &fd) < 0 || vector_get(&v, arg[1], "readv", PyBUF_WRITABLE) < 0) return NULL;
    UNLOCKED_RETRY(n, readv(fd, v.iov, v.count), interrupted);
    return vector_result(&v, n, interrupted);
}

BUILTIN(posix, writev, POSITIONAL, "($module, fd, buffers, /)", "Write a sequence of bytes-like objects to a file descriptor.")
{
    int fd;
    Vector v;
    ssize_t n;
    bool interrupted;
    if (int_get(arg[0], &fd) < 0 || vector_get(&v, arg[1], "writev", PyBUF_SIMPLE) < 0) return NULL;
    UNLOCKED_RETRY(n, writev(fd, v.iov, v.count), interrupted);
    return vector_result(&v, n, interrupted);
}

BUILTIN(posix, preadv, POSITIONAL, "($module, fd, buffers, offset, flags=0, /)", "Read from a file descriptor at an offset into buffers.")
{
    int fd, flags = 0;
    off_t offset;
    Vector v;
    ssize_t n;
    bool interrupted;
    if (int_get(arg[0], &fd) < 0 || offset_get(arg[2], &offset) < 0 || (arg[3] && int_get(arg[3], &flags) < 0)) return NULL;
    if (vector_get(&v, arg[1], "preadv", PyBUF_WRITABLE) < 0) return NULL;
    UNLOCKED_RETRY(n, preadv2(fd, v.iov, v.count, offset, flags), interrupted);
    return vector_result(&v, n, interrupted);
}

BUILTIN(posix, pwritev, POSITIONAL, "($module, fd, buffers, offset, flags=0, /)", "Write buffers to a file descriptor at an offset.")
{
    int fd, flags = 0;
    off_t offset;
    Vector v;
    ssize_t n;
    bool interrupted;
    if (int_get(arg[0], &fd) < 0 || offset_get(arg[2], &offset) < 0 || (arg[3] && int_get(arg[3], &flags) < 0)) return NULL;
    if (vector_get(&v, arg[1], "pwritev", PyBUF_SIMPLE) < 0) return NULL;
    UNLOCKED_RETRY(n, pwritev2(fd, v.iov, v.count, offset, flags), interrupted);
    return vector_result(&v, n, interrupted);
}

BUILTIN(posix, sendfile, KEYWORDS, "($module, /, out_fd, in_fd, offset, count)", "Copy count bytes from descriptor in_fd to descriptor out_fd.")
{
    int out, in;
    off_t offset = 0;
    Py_ssize_t count;
    ssize_t n;
    bool interrupted;
    if (int_get(arg[0], &out) < 0 || int_get(arg[1], &in) < 0) return NULL;
    if (arg[2] != Py_None && offset_get(arg[2], &offset) < 0) return NULL;
    count = PyNumber_AsSsize_t(arg[3], PyExc_OverflowError);
    if (count == -1 && PyErr_Occurred()) return NULL;
    UNLOCKED_RETRY(n, sendfile(out, in, arg[2] == Py_None ? NULL : &offset, (size_t)count), interrupted);
    if (interrupted) return NULL;
    return n < 0 ? posix_error() : PyLong_FromSsize_t(n);
}

static int optional_offset(PyObject *value, off_t *offset, off_t **pointer)
{
    *pointer = NULL;
    if (!value || value == Py_None) return 0;
    *pointer = offset;
    return offset_get(value, offset);
}

static int count_get(PyObject *value, Py_ssize_t *count)
{
    *count = PyNumber_AsSsize_t(value, PyExc_OverflowError);
    if (*count == -1 && PyErr_Occurred()) return -1;
    if (*count >= 0) return 0;
    PyErr_SetString(PyExc_ValueError, "negative value for 'count' not allowed");
    return -1;
}

BUILTIN(posix, copy_file_range, KEYWORDS, "($module, /, src, dst, count, offset_src=None,\n                offset_dst=None)",
        "Copy count bytes from one file descriptor to another within the kernel.")
{
    int src, dst;
    Py_ssize_t count;
    off_t from, to, *pfrom, *pto;
    ssize_t n;
    bool interrupted;
    if (int_get(arg[0], &src) < 0 || int_get(arg[1], &dst) < 0 || count_get(arg[2], &count) < 0) return NULL;
    if (optional_offset(arg[3], &from, &pfrom) < 0 || optional_offset(arg[4], &to, &pto) < 0) return NULL;
    UNLOCKED_RETRY(n, copy_file_range(src, pfrom, dst, pto, (size_t)count, 0), interrupted);
    if (interrupted) return NULL;
    return n < 0 ? posix_error() : PyLong_FromSsize_t(n);
}

BUILTIN(posix, splice, KEYWORDS, "($module, /, src, dst, count, offset_src=None, offset_dst=None,\n       flags=0)",
        "Transfer count bytes from one pipe or file to another; one of the two must be a pipe.")
{
    int src, dst, flags = 0;
    Py_ssize_t count;
    off_t from, to, *pfrom, *pto;
    ssize_t n;
    bool interrupted;
    if (int_get(arg[0], &src) < 0 || int_get(arg[1], &dst) < 0 || count_get(arg[2], &count) < 0) return NULL;
    if (optional_offset(arg[3], &from, &pfrom) < 0 || optional_offset(arg[4], &to, &pto) < 0) return NULL;
    if (arg[5] && int_get(arg[5], &flags) < 0) return NULL;
    UNLOCKED_RETRY(n, splice(src, pfrom, dst, pto, (size_t)count, (unsigned)flags), interrupted);
    if (interrupted) return NULL;
    return n < 0 ? posix_error() : PyLong_FromSsize_t(n);
}

/* ---- state of a descriptor ------------------------------------------------------------------------------------------------ */

static PyObject *sync_descriptor(PyObject *value, int (*call)(int))
{
    int result, fd = PyObject_AsFileDescriptor(value);
    bool interrupted;
    if (fd < 0) return NULL;
    UNLOCKED_RETRY(result, call(fd), interrupted);
    if (interrupted) return NULL;
    RETURN_NONE_OR_ERROR(result);
}

BUILTIN(posix, fsync, KEYWORDS, "($module, /, fd)", "Force write of fd to disk.") { return sync_descriptor(arg[0], fsync); }
BUILTIN(posix, fdatasync, KEYWORDS, "($module, /, fd)", "Force write of fd to disk without forcing update of metadata.")
{
    return sync_descriptor(arg[0], fdatasync);
}

BUILTIN_NOARGS(posix, sync, "($module, /)", "Force write of everything to disk.")
{
    Py_BEGIN_ALLOW_THREADS
    sync();
    Py_END_ALLOW_THREADS
    Py_RETURN_NONE;
}

BUILTIN(posix, ftruncate, POSITIONAL, "($module, fd, length, /)", "Truncate a file, specified by file descriptor, to a specific length.")
{
    int fd, result;
    off_t length;
    bool interrupted;
    if (int_get(arg[0], &fd) < 0 || offset_get(arg[1], &length) < 0) return NULL;
    if (PySys_Audit("os.truncate", "in", fd, (Py_ssize_t)length) < 0) return NULL;
    UNLOCKED_RETRY(result, ftruncate(fd, length), interrupted);
    if (interrupted) return NULL;
    RETURN_NONE_OR_ERROR(result);
}

BUILTIN(posix, lockf, POSITIONAL, "($module, fd, command, length, /)", "Apply, test or remove a POSIX lock on an open file descriptor.")
{
    int fd, command, result;
    off_t length;
    if (int_get(arg[0], &fd) < 0 || int_get(arg[1], &command) < 0 || offset_get(arg[2], &length) < 0) return NULL;
    if (PySys_Audit("os.lockf", "iiL", fd, command, (long long)length) < 0) return NULL;
    UNLOCKED(result, lockf(fd, command, length));
    RETURN_NONE_OR_ERROR(result);
}

static PyObject *errno_result(int error, bool interrupted)
{
    if (interrupted) return NULL;
    if (!error) Py_RETURN_NONE;
    errno = error;
    return posix_error();
}

BUILTIN(posix, posix_fallocate, POSITIONAL, "($module, fd, offset, length, /)", "Ensure that the file has disk space for a range.")
{
    int fd, error;
    off_t offset, length;
    bool interrupted = false;
    if (int_get(arg[0], &fd) < 0 || offset_get(arg[1], &offset) < 0 || offset_get(arg[2], &length) < 0) return NULL;
    do UNLOCKED(error, posix_fallocate(fd, offset, length));
    while (error == EINTR && !(interrupted = PyErr_CheckSignals() < 0));
    return errno_result(error, interrupted);
}

BUILTIN(posix, posix_fadvise, POSITIONAL, "($module, fd, offset, length, advice, /)", "Announce an intention to access data in a pattern.")
{
    int fd, advice, error;
    off_t offset, length;
    bool interrupted = false;
    if (int_get(arg[0], &fd) < 0 || offset_get(arg[1], &offset) < 0 || offset_get(arg[2], &length) < 0 || int_get(arg[3], &advice) < 0)
        return NULL;
    do UNLOCKED(error, posix_fadvise(fd, offset, length, advice));
    while (error == EINTR && !(interrupted = PyErr_CheckSignals() < 0));
    return errno_result(error, interrupted);
}

BUILTIN_O(posix, isatty, "($module, fd, /)", "Return True if the fd is connected to a terminal.")
{
    int fd, result;
    if (int_get(arg, &fd) < 0) return NULL;
    UNLOCKED(result, isatty(fd));
    return PyBool_FromLong(result);
}

BUILTIN_O(posix, ttyname, "($module, fd, /)", "Return the name of the terminal device connected to fd.")
{
    int fd;
    char name[256];
    if (int_get(arg, &fd) < 0) return NULL;
    int error = ttyname_r(fd, name, sizeof name);
    if (!error) return PyUnicode_DecodeFSDefault(name);
    errno = error;
    return posix_error();
}

BUILTIN(posix, device_encoding, KEYWORDS, "($module, /, fd)", "Return the encoding of a terminal's descriptor, or None.")
{
    int fd;
    if (int_get(arg[0], &fd) < 0) return NULL;
    if (!isatty(fd)) Py_RETURN_NONE;
    const char *codeset = nl_langinfo(CODESET);
    return codeset && *codeset ? PyUnicode_FromString(codeset) : PyUnicode_FromString("utf-8");
}

BUILTIN_O(posix, get_blocking, "($module, fd, /)", "Get the blocking mode of the file descriptor.")
{
    int fd, flags;
    if (int_get(arg, &fd) < 0) return NULL;
    flags = fcntl(fd, F_GETFL);
    return flags < 0 ? posix_error() : PyBool_FromLong(!(flags & O_NONBLOCK));
}

BUILTIN(posix, set_blocking, POSITIONAL, "($module, fd, blocking, /)", "Set the blocking mode of the file descriptor.")
{
    int fd, blocking = flag_get(arg[1], 1);
    if (blocking < 0 || int_get(arg[0], &fd) < 0) return NULL;
    int flags = fcntl(fd, F_GETFL);
    if (flags >= 0) flags = fcntl(fd, F_SETFL, blocking ? flags & ~O_NONBLOCK : flags | O_NONBLOCK);
    RETURN_NONE_OR_ERROR(flags);
}

BUILTIN_O(posix, get_inheritable, "($module, fd, /)", "Get the close-on-exe flag of the specified file descriptor.")
{
    int fd, flags;
    if (int_get(arg, &fd) < 0) return NULL;
    flags = fcntl(fd, F_GETFD);
    return flags < 0 ? posix_error() : PyBool_FromLong(!(flags & FD_CLOEXEC));
}

BUILTIN(posix, set_inheritable, POSITIONAL, "($module, fd, inheritable, /)", "Set the inheritable flag of the specified file descriptor.")
{
    int fd, inheritable;
    if (int_get(arg[0], &fd) < 0 || int_get(arg[1], &inheritable) < 0) return NULL;
    int flags = fcntl(fd, F_GETFD);
    if (flags >= 0) flags = fcntl(fd, F_SETFD, inheritable ? flags & ~FD_CLOEXEC : flags | FD_CLOEXEC);
    RETURN_NONE_OR_ERROR(flags);
}

/* ---- new descriptors --------------------------------------------------------------------------------------------------------- */

static PyObject *new_pipe(int flags)
{
    int fds[2], result;
    UNLOCKED(result, pipe2(fds, flags));
    return result < 0 ? posix_error() : Py_BuildValue("(ii)", fds[0], fds[1]);
}

BUILTIN_NOARGS(posix, pipe, "($module, /)", "Create a pipe. Returns a pair (read_fd, write_fd), not inheritable.") { return new_pipe(O_CLOEXEC); }

BUILTIN_O(posix, pipe2, "($module, flags, /)", "Create a pipe with flags: a sum of O_NONBLOCK and O_CLOEXEC.")
{
    int flags;
    return int_get(arg, &flags) < 0 ? NULL : new_pipe(flags);
}

static void close_on_exec(int fd) { fcntl(fd, F_SETFD, fcntl(fd, F_GETFD) | FD_CLOEXEC); }

BUILTIN_NOARGS(posix, openpty, "($module, /)", "Open a pseudo-terminal. Returns a pair (master_fd, slave_fd), not inheritable.")
{
    int master, slave;
    if (openpty(&master, &slave, NULL, NULL, NULL) < 0) return posix_error();
    close_on_exec(master);
    close_on_exec(slave);
    return Py_BuildValue("(ii)", master, slave);
}

BUILTIN_O(posix, login_tty, "($module, fd, /)", "Make the terminal the controlling one and the standard streams of this process.")
{
    int fd;
    if (int_get(arg, &fd) < 0) return NULL;
    RETURN_NONE_OR_ERROR(login_tty(fd));
}

BUILTIN_O(posix, posix_openpt, "($module, oflag, /)", "Open and return a descriptor for a master pseudo-terminal device.")
{
    int flags;
    if (int_get(arg, &flags) < 0) return NULL;
    int fd = posix_openpt(flags | O_CLOEXEC);
    return fd < 0 ? posix_error() : PyLong_FromLong(fd);
}

BUILTIN_O(posix, grantpt, "($module, fd, /)", "Grant access to the slave pseudo-terminal device.")
{
    int fd;
    if (int_get(arg, &fd) < 0) return NULL;
    RETURN_NONE_OR_ERROR(grantpt(fd));
}

BUILTIN_O(posix, unlockpt, "($module, fd, /)", "Unlock a pseudo-terminal master/slave pair.")
{
    int fd;
    if (int_get(arg, &fd) < 0) return NULL;
    RETURN_NONE_OR_ERROR(unlockpt(fd));
}

BUILTIN_O(posix, ptsname, "($module, fd, /)", "Return the name of the slave pseudo-terminal device.")
{
    int fd;
    char name[128];
    if (int_get(arg, &fd) < 0) return NULL;
    int error = ptsname_r(fd, name, sizeof name);
    if (!error) return PyUnicode_DecodeFSDefault(name);
    errno = error;
    return posix_error();
}

BUILTIN(posix, get_terminal_size, POSITIONAL, "($module, fd=<unrepresentable>, /)", "Return the size of the terminal window as (columns, lines).")
{
    int fd = STDOUT_FILENO;
    struct winsize size;
    if (arg[0] && int_get(arg[0], &fd) < 0) return NULL;
    if (ioctl(fd, TIOCGWINSZ, &size) < 0) return posix_error();
    PyObject *o = PyStructSequence_New(posix_state(self)->terminal_size);
    if (!o) return NULL;
    PyStructSequence_SetItem(o, 0, PyLong_FromLong(size.ws_col));
    PyStructSequence_SetItem(o, 1, PyLong_FromLong(size.ws_row));
    if (PyErr_Occurred()) Py_CLEAR(o);
    return o;
}

BUILTIN_O(posix, tcgetpgrp, "($module, fd, /)", "Return the process group associated with the terminal specified by fd.")
{
    int fd;
    if (int_get(arg, &fd) < 0) return NULL;
    pid_t group = tcgetpgrp(fd);
    return group < 0 ? posix_error() : PyLong_FromLong(group);
}

BUILTIN(posix, tcsetpgrp, PARSED, "($module, fd, pgid, /)", "Set the process group associated with the terminal specified by fd.")
{
    int fd, group;
    if (int_get(arg[0], &fd) < 0 || int_get(arg[1], &group) < 0) return NULL;
    RETURN_NONE_OR_ERROR(tcsetpgrp(fd, group));
}

PyMethodDef posix_fd_methods[] = {
    METHOD(posix, open), METHOD(posix, close), METHOD(posix, closerange), METHOD(posix, dup), METHOD(posix, dup2), METHOD(posix, lseek),
    METHOD(posix, read), METHOD(posix, pread), METHOD(posix, write), METHOD(posix, pwrite), METHOD(posix, readv), METHOD(posix, writev),
    METHOD(posix, preadv), METHOD(posix, pwritev), METHOD(posix, sendfile), METHOD(posix, copy_file_range), METHOD(posix, splice),
    METHOD(posix, fsync), METHOD(posix, fdatasync), METHOD(posix, sync), METHOD(posix, ftruncate), METHOD(posix, lockf),
    METHOD(posix, posix_fallocate), METHOD(posix, posix_fadvise), METHOD(posix, isatty), METHOD(posix, ttyname),
    METHOD(posix, device_encoding), METHOD(posix, get_blocking), METHOD(posix, set_blocking), METHOD(posix, get_inheritable),
    METHOD(posix, set_inheritable), METHOD(posix, pipe), METHOD(posix, pipe2), METHOD(posix, openpty), METHOD(posix, login_tty),
    METHOD(posix, posix_openpt), METHOD(posix, grantpt), METHOD(posix, unlockpt), METHOD(posix, ptsname), METHOD(posix, get_terminal_size),
    METHOD(posix, tcgetpgrp), METHOD(posix, tcsetpgrp),
    { 0 }
};
