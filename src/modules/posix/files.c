/* posix: names in the file system (create, remove, rename, link, permissions, extended attributes) and the working directory. */
#include "posix_private.h"

#include <limits.h>
#include <stdio.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <utime.h>

#define PATH_OR_RETURN(variable, function, argument, value, allowed)                                                    \
    Path variable;                                                                                                      \
    if (path_get(&variable, function, argument, value, allowed) < 0) return NULL

/* None or OSError naming the path; releases it. */
static PyObject *path_result(Path *path, int result)
{
    PyObject *o = result < 0 ? path_error(path) : Py_NewRef(Py_None);
    path_done(path);
    return o;
}

static PyObject *path_fail(Path *path)
{
    path_done(path);
    return NULL;
}

static PyObject *value_error_both(Path *path, const char *function, const char *a, const char *b)
{
    PyErr_Format(PyExc_ValueError, "%s: cannot use %s and %s together", function, a, b);
    return path_fail(path);
}

BUILTIN(posix, access, KEYWORDS, "($module, /, path, mode, *, dir_fd=None, effective_ids=False,\n       follow_symlinks=True)",
        "Return whether the real (or effective) user may access path in the given mode: a sum of R_OK, W_OK, X_OK, or F_OK.")
{
    int mode, dir_fd, result, effective = flag_get(arg[3], 0), follow = flag_get(arg[4], 1);
    if (effective < 0 || follow < 0 || int_get(arg[1], &mode) < 0 || dir_fd_get(arg[2], &dir_fd) < 0) return NULL;
    PATH_OR_RETURN(path, "access", "path", arg[0], 0);
    int flags = (effective ? AT_EACCESS : 0) | (follow ? 0 : AT_SYMLINK_NOFOLLOW);
    UNLOCKED(result, faccessat(dir_fd, path.narrow, mode, flags));
    path_done(&path);
    return PyBool_FromLong(result == 0);
}

BUILTIN(posix, chdir, KEYWORDS, "($module, /, path)", "Change the current working directory to a path or an open directory.")
{
    int result;
    PATH_OR_RETURN(path, "chdir", "path", arg[0], PATH_FD);
    if (PySys_Audit("os.chdir", "(O)", path.object) < 0) return path_fail(&path);
    UNLOCKED(result, path.fd >= 0 || !path.narrow ? fchdir(path.fd) : chdir(path.narrow));
    return path_result(&path, result);
}

BUILTIN(posix, fchdir, KEYWORDS, "($module, /, fd)", "Change the current working directory to an open directory.")
{
    int result, fd = PyObject_AsFileDescriptor(arg[0]);
    if (fd < 0 || PySys_Audit("os.chdir", "(i)", fd) < 0) return NULL;
    bool interrupted;
    UNLOCKED_RETRY(result, fchdir(fd), interrupted);
    if (interrupted) return NULL;
    RETURN_NONE_OR_ERROR(result);
}

BUILTIN(posix, chmod, KEYWORDS, "($module, /, path, mode, *, dir_fd=None,\n      follow_symlinks=(os.name != 'nt'))",
        "Change the access permissions of a file.")
{
    int mode, dir_fd, result, follow = flag_get(arg[3], 1);
    if (follow < 0 || int_get(arg[1], &mode) < 0 || dir_fd_get(arg[2], &dir_fd) < 0) return NULL;
    PATH_OR_RETURN(path, "chmod", "path", arg[0], PATH_FD);
    if (PySys_Audit("os.chmod", "Oii", path.object, mode, dir_fd == AT_FDCWD ? -1 : dir_fd) < 0) return path_fail(&path);
    if (!path.narrow) UNLOCKED(result, fchmod(path.fd, (mode_t)mode));
    else if (dir_fd != AT_FDCWD || !follow)
        UNLOCKED(result, fchmodat(dir_fd, path.narrow, (mode_t)mode, follow ? 0 : AT_SYMLINK_NOFOLLOW));
    else UNLOCKED(result, chmod(path.narrow, (mode_t)mode));
    if (result < 0 && !follow && (errno == ENOTSUP || errno == EOPNOTSUPP)) {
        if (dir_fd != AT_FDCWD) return value_error_both(&path, "chmod", "dir_fd", "follow_symlinks");
        PyErr_SetString(PyExc_NotImplementedError, "chmod: follow_symlinks unavailable on this platform");
        return path_fail(&path);
    }
    return path_result(&path, result);
}

BUILTIN(posix, fchmod, KEYWORDS, "($module, /, fd, mode)", "Change the access permissions of the file given by a descriptor.")
{
    int fd, mode, result;
    bool interrupted;
    if (int_get(arg[0], &fd) < 0 || int_get(arg[1], &mode) < 0) return NULL;
    if (PySys_Audit("os.chmod", "iii", fd, mode, -1) < 0) return NULL;
    UNLOCKED_RETRY(result, fchmod(fd, (mode_t)mode), interrupted);
    if (interrupted) return NULL;
    RETURN_NONE_OR_ERROR(result);
}

BUILTIN(posix, chown, KEYWORDS, "($module, /, path, uid, gid, *, dir_fd=None, follow_symlinks=True)",
        "Change the owner and group of a file; -1 leaves one as it is.")
{
    int dir_fd, result, follow = flag_get(arg[4], 1);
    uid_t uid;
    gid_t gid;
    if (follow < 0 || uid_get(arg[1], &uid) < 0 || gid_get(arg[2], &gid) < 0 || dir_fd_get(arg[3], &dir_fd) < 0) return NULL;
    PATH_OR_RETURN(path, "chown", "path", arg[0], PATH_FD);
    if (!path.narrow && dir_fd != AT_FDCWD) {
        PyErr_SetString(PyExc_ValueError, "chown: can't specify dir_fd without matching path");
        return path_fail(&path);
    }
    if (!path.narrow && !follow) return value_error_both(&path, "chown", "fd", "follow_symlinks");
    if (PySys_Audit("os.chown", "OIIi", path.object, uid, gid, dir_fd == AT_FDCWD ? -1 : dir_fd) < 0) return path_fail(&path);
    if (!path.narrow) UNLOCKED(result, fchown(path.fd, uid, gid));
    else UNLOCKED(result, fchownat(dir_fd, path.narrow, uid, gid, follow ? 0 : AT_SYMLINK_NOFOLLOW));
    return path_result(&path, result);
}

BUILTIN(posix, lchown, KEYWORDS, "($module, /, path, uid, gid)", "Change the owner and group of a path without following symbolic links.")
{
    int result;
    uid_t uid;
    gid_t gid;
    if (uid_get(arg[1], &uid) < 0 || gid_get(arg[2], &gid) < 0) return NULL;
    PATH_OR_RETURN(path, "lchown", "path", arg[0], 0);
    if (PySys_Audit("os.chown", "OIIi", path.object, uid, gid, -1) < 0) return path_fail(&path);
    UNLOCKED(result, lchown(path.narrow, uid, gid));
    return path_result(&path, result);
}

BUILTIN(posix, fchown, KEYWORDS, "($module, /, fd, uid, gid)", "Change the owner and group of the file given by a descriptor.")
{
    int fd, result;
    uid_t uid;
    gid_t gid;
    bool interrupted;
    if (int_get(arg[0], &fd) < 0 || uid_get(arg[1], &uid) < 0 || gid_get(arg[2], &gid) < 0) return NULL;
    if (PySys_Audit("os.chown", "iIIi", fd, uid, gid, -1) < 0) return NULL;
    UNLOCKED_RETRY(result, fchown(fd, uid, gid), interrupted);
    if (interrupted) return NULL;
    RETURN_NONE_OR_ERROR(result);
}

BUILTIN(posix, chroot, KEYWORDS, "($module, /, path)", "Change the root directory to path.")
{
    int result;
    PATH_OR_RETURN(path, "chroot", "path", arg[0], 0);
    UNLOCKED(result, chroot(path.narrow));
    return path_result(&path, result);
}

static PyObject *current_directory(bool as_bytes)
{
    size_t size = 1024;
    char *buffer = NULL, *found;
    do {
        char *larger = PyMem_RawRealloc(buffer, size);
        if (!larger) {
            PyMem_RawFree(buffer);
            return PyErr_NoMemory();
        }
        buffer = larger;
        UNLOCKED(found, getcwd(buffer, size));
        size *= 2;
    } while (!found && errno == ERANGE);
    PyObject *o = !found ? posix_error() : as_bytes ? PyBytes_FromString(buffer) : PyUnicode_DecodeFSDefault(buffer);
    PyMem_RawFree(buffer);
    return o;
}

BUILTIN_NOARGS(posix, getcwd, "($module, /)", "Return a str representing the current working directory.") { return current_directory(false); }
BUILTIN_NOARGS(posix, getcwdb, "($module, /)", "Return bytes representing the current working directory.") { return current_directory(true); }

BUILTIN(posix, link, KEYWORDS,
        "($module, /, src, dst, *, src_dir_fd=None, dst_dir_fd=None,\n     follow_symlinks=True)", "Create a hard link to a file.")
{
    int src_fd, dst_fd, result, follow = flag_get(arg[4], 1);
    if (follow < 0 || dir_fd_get(arg[2], &src_fd) < 0 || dir_fd_get(arg[3], &dst_fd) < 0) return NULL;
    PATH_OR_RETURN(src, "link", "src", arg[0], 0);
    Path dst;
    if (path_get(&dst, "link", "dst", arg[1], 0) < 0) return path_fail(&src);
    PyObject *o = NULL;
    if (PySys_Audit("os.link", "OOii", src.object, dst.object, src_fd == AT_FDCWD ? -1 : src_fd, dst_fd == AT_FDCWD ? -1 : dst_fd) >= 0) {
        if (src_fd != AT_FDCWD || dst_fd != AT_FDCWD || !follow)
            UNLOCKED(result, linkat(src_fd, src.narrow, dst_fd, dst.narrow, follow ? AT_SYMLINK_FOLLOW : 0));
        else UNLOCKED(result, link(src.narrow, dst.narrow));
        o = result < 0 ? path_error2(&src, &dst) : Py_NewRef(Py_None);
    }
    path_done(&src);
    path_done(&dst);
    return o;
}

static PyObject *rename_file(const char *name, PyObject *const *arg)
{
    int src_fd, dst_fd, result;
    if (dir_fd_get(arg[2], &src_fd) < 0 || dir_fd_get(arg[3], &dst_fd) < 0) return NULL;
    PATH_OR_RETURN(src, name, "src", arg[0], 0);
    Path dst;
    if (path_get(&dst, name, "dst", arg[1], 0) < 0) return path_fail(&src);
    PyObject *o = NULL;
    if (PySys_Audit("os.rename", "OOii", src.object, dst.object, src_fd == AT_FDCWD ? -1 : src_fd, dst_fd == AT_FDCWD ? -1 : dst_fd) >= 0) {
        UNLOCKED(result, renameat(src_fd, src.narrow, dst_fd, dst.narrow));
        o = result < 0 ? path_error2(&src, &dst) : Py_NewRef(Py_None);
    }
    path_done(&src);
    path_done(&dst);
    return o;
}

BUILTIN(posix, rename, KEYWORDS, "($module, /, src, dst, *, src_dir_fd=None, dst_dir_fd=None)", "Rename a file or directory.")
{
    return rename_file("rename", arg);
}

BUILTIN(posix, replace, KEYWORDS, "($module, /, src, dst, *, src_dir_fd=None, dst_dir_fd=None)",
        "Rename a file or directory, overwriting the destination.")
{
    return rename_file("replace", arg);
}

BUILTIN(posix, mkdir, KEYWORDS, "($module, /, path, mode=511, *, dir_fd=None)", "Create a directory.")
{
    int mode = 0777, dir_fd, result;
    if ((arg[1] && int_get(arg[1], &mode) < 0) || dir_fd_get(arg[2], &dir_fd) < 0) return NULL;
    PATH_OR_RETURN(path, "mkdir", "path", arg[0], 0);
    if (PySys_Audit("os.mkdir", "Oii", path.object, mode, dir_fd == AT_FDCWD ? -1 : dir_fd) < 0) return path_fail(&path);
    UNLOCKED(result, mkdirat(dir_fd, path.narrow, (mode_t)mode));
    return path_result(&path, result);
}

BUILTIN(posix, rmdir, KEYWORDS, "($module, /, path, *, dir_fd=None)", "Remove a directory.")
{
    int dir_fd, result;
    if (dir_fd_get(arg[1], &dir_fd) < 0) return NULL;
    PATH_OR_RETURN(path, "rmdir", "path", arg[0], 0);
    if (PySys_Audit("os.rmdir", "Oi", path.object, dir_fd == AT_FDCWD ? -1 : dir_fd) < 0) return path_fail(&path);
    UNLOCKED(result, unlinkat(dir_fd, path.narrow, AT_REMOVEDIR));
    return path_result(&path, result);
}

static PyObject *remove_file(const char *name, PyObject *const *arg)
{
    int dir_fd, result;
    if (dir_fd_get(arg[1], &dir_fd) < 0) return NULL;
    PATH_OR_RETURN(path, name, "path", arg[0], 0);
    if (PySys_Audit("os.remove", "Oi", path.object, dir_fd == AT_FDCWD ? -1 : dir_fd) < 0) return path_fail(&path);
    UNLOCKED(result, unlinkat(dir_fd, path.narrow, 0));
    return path_result(&path, result);
}

BUILTIN(posix, unlink, KEYWORDS, "($module, /, path, *, dir_fd=None)", "Remove a file (same as remove()).") { return remove_file("unlink", arg); }
BUILTIN(posix, remove, KEYWORDS, "($module, /, path, *, dir_fd=None)", "Remove a file (same as unlink()).") { return remove_file("remove", arg); }

BUILTIN(posix, symlink, KEYWORDS, "($module, /, src, dst, target_is_directory=False, *, dir_fd=None)",
        "Create a symbolic link dst pointing to src; target_is_directory is ignored here.")
{
    int dir_fd, result;
    if (flag_get(arg[2], 0) < 0 || dir_fd_get(arg[3], &dir_fd) < 0) return NULL;
    PATH_OR_RETURN(src, "symlink", "src", arg[0], 0);
    Path dst;
    if (path_get(&dst, "symlink", "dst", arg[1], 0) < 0) return path_fail(&src);
    PyObject *o = NULL;
    if (PySys_Audit("os.symlink", "OOi", src.object, dst.object, dir_fd == AT_FDCWD ? -1 : dir_fd) >= 0) {
        UNLOCKED(result, symlinkat(src.narrow, dir_fd, dst.narrow));
        o = result < 0 ? path_error2(&src, &dst) : Py_NewRef(Py_None);
    }
    path_done(&src);
    path_done(&dst);
    return o;
}

BUILTIN(posix, readlink, KEYWORDS, "($module, /, path, *, dir_fd=None)", "Return the path that the symbolic link points to.")
{
    int dir_fd;
    ssize_t n;
    char buffer[PATH_MAX + 1];
    if (dir_fd_get(arg[1], &dir_fd) < 0) return NULL;
    PATH_OR_RETURN(path, "readlink", "path", arg[0], 0);
    UNLOCKED(n, readlinkat(dir_fd, path.narrow, buffer, PATH_MAX));
    PyObject *o = n < 0 ? path_error(&path) : path.is_bytes ? PyBytes_FromStringAndSize(buffer, n) : PyUnicode_DecodeFSDefaultAndSize(buffer, n);
    path_done(&path);
    return o;
}

BUILTIN(posix, mkfifo, KEYWORDS, "($module, /, path, mode=438, *, dir_fd=None)", "Create a named pipe.")
{
    int mode = 0666, dir_fd, result;
    bool interrupted;
    if ((arg[1] && int_get(arg[1], &mode) < 0) || dir_fd_get(arg[2], &dir_fd) < 0) return NULL;
    PATH_OR_RETURN(path, "mkfifo", "path", arg[0], 0);
    UNLOCKED_RETRY(result, mkfifoat(dir_fd, path.narrow, (mode_t)mode), interrupted);
    if (interrupted) return path_fail(&path);
    return path_result(&path, result);
}

BUILTIN(posix, mknod, KEYWORDS, "($module, /, path, mode=384, device=0, *, dir_fd=None)", "Create a node in the file system.")
{
    int mode = 0600, dir_fd, result;
    bool interrupted;
    dev_t device = 0;
    if (arg[1] && int_get(arg[1], &mode) < 0) return NULL;
    if (arg[2]) {
        device = (dev_t)PyLong_AsUnsignedLongLong(arg[2]);
        if (device == (dev_t)-1 && PyErr_Occurred()) return NULL;
    }
    if (dir_fd_get(arg[3], &dir_fd) < 0) return NULL;
    PATH_OR_RETURN(path, "mknod", "path", arg[0], 0);
    UNLOCKED_RETRY(result, mknodat(dir_fd, path.narrow, (mode_t)mode, device), interrupted);
    if (interrupted) return path_fail(&path);
    return path_result(&path, result);
}

BUILTIN(posix, truncate, KEYWORDS, "($module, /, path, length)", "Truncate a file, given by path or descriptor, to a length in bytes.")
{
    int result;
    off_t length;
    if (offset_get(arg[1], &length) < 0) return NULL;
    PATH_OR_RETURN(path, "truncate", "path", arg[0], PATH_FD);
    if (PySys_Audit("os.truncate", "On", path.object, (Py_ssize_t)length) < 0) return path_fail(&path);
    UNLOCKED(result, path.narrow ? truncate(path.narrow, length) : ftruncate(path.fd, length));
    return path_result(&path, result);
}

/* ---- utime ------------------------------------------------------------------------------------------------------------ */

static int split_ns(PyObject *module, PyObject *value, struct timespec *ts)
{
    PyObject *pair = PyNumber_Divmod(value, posix_state(module)->billion);
    if (!pair) return -1;
    int status = -1;
    if (!PyTuple_Check(pair) || PyTuple_GET_SIZE(pair) != 2)
        PyErr_Format(PyExc_TypeError, "%.200s.__divmod__() must return a 2-tuple, not %.200s", Py_TYPE(value)->tp_name, Py_TYPE(pair)->tp_name);
    else {
        ts->tv_sec = PyLong_AsLong(PyTuple_GET_ITEM(pair, 0));
        if (ts->tv_sec != -1 || !PyErr_Occurred()) {
            ts->tv_nsec = PyLong_AsLong(PyTuple_GET_ITEM(pair, 1));
            if (ts->tv_nsec != -1 || !PyErr_Occurred()) status = 0;
        }
    }
    Py_DECREF(pair);
    return status;
}

/* Rounds towards minus infinity, as file times are. */
static int split_seconds(PyObject *value, struct timespec *ts)
{
    if (PyFloat_Check(value)) {
        double seconds = PyFloat_AS_DOUBLE(value);
        if (seconds != seconds) {
            PyErr_SetString(PyExc_ValueError, "Invalid value NaN (not a number)");
            return -1;
        }
        double whole = __builtin_floor(seconds);
        if (!(whole >= -9223372036854775808.0 && whole < 9223372036854775808.0)) {
            PyErr_SetString(PyExc_OverflowError, "timestamp out of range for platform time_t");
            return -1;
        }
        ts->tv_sec = (time_t)whole;
        ts->tv_nsec = (long)__builtin_floor((seconds - whole) * 1e9);
        return 0;
    }
    ts->tv_sec = PyLong_AsLong(value);
    ts->tv_nsec = 0;
    if (ts->tv_sec == -1 && PyErr_Occurred()) {
        if (PyErr_ExceptionMatches(PyExc_OverflowError))
            PyErr_SetString(PyExc_OverflowError, "timestamp out of range for platform time_t");
        return -1;
    }
    return 0;
}

BUILTIN(posix, utime, KEYWORDS,
        "($module, /, path, times=None, *, ns=<unrepresentable>,\n      dir_fd=None, follow_symlinks=True)",
        "Set the access and modified time of path: times in seconds, ns in nanoseconds, or the current time.")
{
    int dir_fd, result, follow = flag_get(arg[4], 1);
    struct timespec ts[2] = { { 0, UTIME_NOW }, { 0, UTIME_NOW } };
    PyObject *times = arg[1] && arg[1] != Py_None ? arg[1] : NULL, *ns = arg[2];
    if (follow < 0 || dir_fd_get(arg[3], &dir_fd) < 0) return NULL;
    PATH_OR_RETURN(path, "utime", "path", arg[0], PATH_FD);
    if (times && ns) {
        PyErr_SetString(PyExc_ValueError, "utime: you may specify either 'times' or 'ns' but not both");
        return path_fail(&path);
    }
    if (times) {
        if (!PyTuple_CheckExact(times) || PyTuple_GET_SIZE(times) != 2) {
            PyErr_SetString(PyExc_TypeError, "utime: 'times' must be either a tuple of two ints or None");
            return path_fail(&path);
        }
        for (int i = 0; i < 2; i++)
            if (split_seconds(PyTuple_GET_ITEM(times, i), &ts[i]) < 0) return path_fail(&path);
    }
    else if (ns) {
        if (!PyTuple_CheckExact(ns) || PyTuple_GET_SIZE(ns) != 2) {
            PyErr_SetString(PyExc_TypeError, "utime: 'ns' must be a tuple of two ints");
            return path_fail(&path);
        }
        for (int i = 0; i < 2; i++)
            if (split_ns(self, PyTuple_GET_ITEM(ns, i), &ts[i]) < 0) return path_fail(&path);
    }
    if (!path.narrow && dir_fd != AT_FDCWD) {
        PyErr_SetString(PyExc_ValueError, "utime: can't specify dir_fd without matching path");
        return path_fail(&path);
    }
    if (!path.narrow && !follow) return value_error_both(&path, "utime", "fd", "follow_symlinks");
    if (PySys_Audit("os.utime", "OOOi", path.object, arg[1] ? arg[1] : Py_None, ns ? ns : Py_None, dir_fd == AT_FDCWD ? -1 : dir_fd) < 0)
        return path_fail(&path);
    if (!path.narrow) UNLOCKED(result, futimens(path.fd, ts));
    else UNLOCKED(result, utimensat(dir_fd, path.narrow, ts, follow ? 0 : AT_SYMLINK_NOFOLLOW));
    return path_result(&path, result);
}

/* ---- extended attributes -------------------------------------------------------------------------------------------------- */

static bool xattr_arguments(const char *name, Path *path, int follow)
{
    if (path->narrow || follow) return true;
    PyErr_Format(PyExc_ValueError, "%s: cannot use fd and follow_symlinks together", name);
    return false;
}

BUILTIN(posix, getxattr, KEYWORDS, "($module, /, path, attribute, *, follow_symlinks=True)", "Return the value of an extended attribute.")
{
    int follow = flag_get(arg[2], 1);
    if (follow < 0) return NULL;
    PATH_OR_RETURN(path, "getxattr", "path", arg[0], PATH_FD);
    Path name;
    if (path_get(&name, "getxattr", "attribute", arg[1], 0) < 0) return path_fail(&path);
    PyObject *value = NULL;
    ssize_t n = -1;
    if (xattr_arguments("getxattr", &path, follow) && PySys_Audit("os.getxattr", "OO", path.object, name.object) >= 0) {
        for (size_t size = 128;; size = size < XATTR_SIZE_MAX ? XATTR_SIZE_MAX : 0) {
            if (!(value = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)size))) break;
            char *buffer = PyBytes_AS_STRING(value);
            if (!path.narrow) UNLOCKED(n, fgetxattr(path.fd, name.narrow, buffer, size));
            else if (follow) UNLOCKED(n, getxattr(path.narrow, name.narrow, buffer, size));
            else UNLOCKED(n, lgetxattr(path.narrow, name.narrow, buffer, size));
            if (n >= 0 || errno != ERANGE || size == XATTR_SIZE_MAX) break;
            Py_CLEAR(value);
        }
        if (value && n < 0) {
            Py_CLEAR(value);
            path_error(&path);
        }
        if (value) _PyBytes_Resize(&value, n);
    }
    path_done(&path);
    path_done(&name);
    return value;
}

BUILTIN(posix, setxattr, KEYWORDS, "($module, /, path, attribute, value, flags=0, *,\n         follow_symlinks=True)",
        "Set an extended attribute of path to a bytes-like value.")
{
    int flags = 0, result = -1, follow = flag_get(arg[4], 1);
    Py_buffer value;
    if (follow < 0 || (arg[3] && int_get(arg[3], &flags) < 0)) return NULL;
    PATH_OR_RETURN(path, "setxattr", "path", arg[0], PATH_FD);
    Path name;
    if (path_get(&name, "setxattr", "attribute", arg[1], 0) < 0) return path_fail(&path);
    PyObject *o = NULL;
    if (PyObject_GetBuffer(arg[2], &value, PyBUF_SIMPLE) == 0) {
        if (xattr_arguments("setxattr", &path, follow)
            && PySys_Audit("os.setxattr", "OOy#i", path.object, name.object, value.buf, value.len, flags) >= 0) {
            if (!path.narrow) UNLOCKED(result, fsetxattr(path.fd, name.narrow, value.buf, (size_t)value.len, flags));
            else if (follow) UNLOCKED(result, setxattr(path.narrow, name.narrow, value.buf, (size_t)value.len, flags));
            else UNLOCKED(result, lsetxattr(path.narrow, name.narrow, value.buf, (size_t)value.len, flags));
            o = result < 0 ? path_error(&path) : Py_NewRef(Py_None);
        }
        PyBuffer_Release(&value);
    }
    path_done(&path);
    path_done(&name);
    return o;
}

BUILTIN(posix, removexattr, KEYWORDS, "($module, /, path, attribute, *, follow_symlinks=True)", "Remove an extended attribute.")
{
    int result, follow = flag_get(arg[2], 1);
    if (follow < 0) return NULL;
    PATH_OR_RETURN(path, "removexattr", "path", arg[0], PATH_FD);
    Path name;
    if (path_get(&name, "removexattr", "attribute", arg[1], 0) < 0) return path_fail(&path);
    PyObject *o = NULL;
    if (xattr_arguments("removexattr", &path, follow) && PySys_Audit("os.removexattr", "OO", path.object, name.object) >= 0) {
        if (!path.narrow) UNLOCKED(result, fremovexattr(path.fd, name.narrow));
        else if (follow) UNLOCKED(result, removexattr(path.narrow, name.narrow));
        else UNLOCKED(result, lremovexattr(path.narrow, name.narrow));
        o = result < 0 ? path_error(&path) : Py_NewRef(Py_None);
    }
    path_done(&path);
    path_done(&name);
    return o;
}

BUILTIN(posix, listxattr, KEYWORDS, "($module, /, path=None, *, follow_symlinks=True)", "Return a list of extended attributes of path.")
{
    int follow = flag_get(arg[1], 1);
    if (follow < 0) return NULL;
    PATH_OR_RETURN(path, "listxattr", "path", arg[0], PATH_FD | PATH_NULLABLE);
    PyObject *list = NULL;
    char *buffer = NULL;
    ssize_t n = -1;
    const char *name = path.narrow ? path.narrow : path.fd < 0 ? "." : NULL;
    if (!xattr_arguments("listxattr", &path, follow) || PySys_Audit("os.listxattr", "(O)", path.object) < 0) goto done;
    for (size_t size = 256;; size = XATTR_LIST_MAX) {
        PyMem_Free(buffer);
        if (!(buffer = PyMem_Malloc(size))) {
            PyErr_NoMemory();
            goto done;
        }
        if (!name) UNLOCKED(n, flistxattr(path.fd, buffer, size));
        else if (follow) UNLOCKED(n, listxattr(name, buffer, size));
        else UNLOCKED(n, llistxattr(name, buffer, size));
        if (n >= 0 || errno != ERANGE || size == XATTR_LIST_MAX) break;
    }
    if (n < 0) path_error(&path);
    else if ((list = PyList_New(0))) {
        for (char *p = buffer; p < buffer + n; p += strlen(p) + 1) {
            PyObject *item = PyUnicode_DecodeFSDefault(p);
            if (!item || PyList_Append(list, item) < 0) Py_CLEAR(list);
            Py_XDECREF(item);
            if (!list) break;
        }
    }
done:
    PyMem_Free(buffer);
    path_done(&path);
    return list;
}

/* ---- pure path functions ------------------------------------------------------------------------------------------------------ */

BUILTIN(posix, fspath, KEYWORDS, "($module, /, path)", "Return the file system path representation of the object: str or bytes.")
{
    return PyOS_FSPath(arg[0]);
}

/* a/./b//../c -> a/c, in place on UCS data of any width: works on UTF-8, since '/' and '.' are ASCII. */
static size_t normalize(char *p, size_t length)
{
    size_t from = 0, to = 0, root;
    while (from < length && p[from] == '/') from++;
    root = from == 2 ? 2 : from ? 1 : 0;                 /* two leading slashes mean something of their own */
    for (size_t i = 0; i < root; i++) p[to++] = '/';
    size_t parents = to;                                  /* ".." components kept so far end here */
    while (from < length) {
        size_t end = from;
        while (end < length && p[end] != '/') end++;
        size_t n = end - from;
        if (n == 2 && p[from] == '.' && p[from + 1] == '.') {
            if (to > parents) {                           /* drop the last component */
                while (to > parents && p[to - 1] != '/') to--;
                if (to > parents) to--;
            }
            else if (!root) {
                if (to) p[to++] = '/';
                p[to++] = '.';
                p[to++] = '.';
                parents = to;
            }
        }
        else if (n && !(n == 1 && p[from] == '.')) {
            if (to > root) p[to++] = '/';
            memmove(p + to, p + from, n);
            to += n;
        }
        from = end + 1;
    }
    return to;
}

BUILTIN(posix, _path_normpath, KEYWORDS, "($module, /, path)", "Normalize path, eliminating double slashes, etc.")
{
    PyObject *path = PyOS_FSPath(arg[0]), *o = NULL;
    if (!path) return NULL;
    bool is_bytes = PyBytes_Check(path);
    PyObject *encoded = is_bytes ? Py_NewRef(path) : PyUnicode_AsEncodedString(path, "utf-8", "surrogatepass");
    Py_DECREF(path);
    if (!encoded) return NULL;
    size_t length = (size_t)PyBytes_GET_SIZE(encoded);
    char *copy = PyMem_Malloc(length + 2);
    if (!copy) PyErr_NoMemory();
    else {
        memcpy(copy, PyBytes_AS_STRING(encoded), length);
        length = normalize(copy, length);
        if (!length) copy[length++] = '.';
        o = is_bytes ? PyBytes_FromStringAndSize(copy, (Py_ssize_t)length)
                     : PyUnicode_Decode(copy, (Py_ssize_t)length, "utf-8", "surrogatepass");
        PyMem_Free(copy);
    }
    Py_DECREF(encoded);
    return o;
}

BUILTIN(posix, _path_splitroot_ex, KEYWORDS, "($module, /, p)", "Split a pathname into drive, root and tail.")
{
    PyObject *path = PyOS_FSPath(arg[0]), *o = NULL;
    if (!path) return NULL;
    Py_ssize_t length = PyObject_Length(path), root = 0;
    bool is_bytes = PyBytes_Check(path);
    if (length >= 0) {
        while (root < length && root < 3
               && (is_bytes ? PyBytes_AS_STRING(path)[root] == '/' : PyUnicode_READ_CHAR(path, root) == '/')) root++;
        root = root == 2 ? 2 : root ? 1 : 0;
        PyObject *head = PySequence_GetSlice(path, 0, root), *tail = head ? PySequence_GetSlice(path, root, length) : NULL;
        PyObject *drive = tail ? PySequence_GetSlice(path, 0, 0) : NULL;
        if (drive) o = PyTuple_Pack(3, drive, head, tail);
        Py_XDECREF(drive);
        Py_XDECREF(head);
        Py_XDECREF(tail);
    }
    Py_DECREF(path);
    return o;
}

PyMethodDef posix_file_methods[] = {
    METHOD(posix, access), METHOD(posix, chdir), METHOD(posix, fchdir), METHOD(posix, chmod), METHOD(posix, fchmod),
    METHOD(posix, chown), METHOD(posix, lchown), METHOD(posix, fchown), METHOD(posix, chroot), METHOD(posix, getcwd),
    METHOD(posix, getcwdb), METHOD(posix, link), METHOD(posix, rename), METHOD(posix, replace), METHOD(posix, mkdir),
    METHOD(posix, rmdir), METHOD(posix, unlink), METHOD(posix, remove), METHOD(posix, symlink), METHOD(posix, readlink),
    METHOD(posix, mkfifo), METHOD(posix, mknod), METHOD(posix, truncate), METHOD(posix, utime), METHOD(posix, getxattr),
    METHOD(posix, setxattr), METHOD(posix, removexattr), METHOD(posix, listxattr), METHOD(posix, fspath),
    METHOD(posix, _path_normpath), METHOD(posix, _path_splitroot_ex),
    { 0 }
};
