/* posix: stat and statvfs, and the struct sequences they return. */
#include "posix_private.h"
#include "objects/objects.h"

#include <sys/statvfs.h>
#include <sys/sysmacros.h>

static PyStructSequence_Field stat_fields[] = {
    { "st_mode", "protection bits" }, { "st_ino", "inode" }, { "st_dev", "device" }, { "st_nlink", "number of hard links" },
    { "st_uid", "user ID of owner" }, { "st_gid", "group ID of owner" }, { "st_size", "total size, in bytes" },
    { NULL, "integer time of last access" }, { NULL, "integer time of last modification" }, { NULL, "integer time of last change" },
    { "st_atime", "time of last access" }, { "st_mtime", "time of last modification" }, { "st_ctime", "time of last change" },
    { "st_atime_ns", "time of last access in nanoseconds" }, { "st_mtime_ns", "time of last modification in nanoseconds" },
    { "st_ctime_ns", "time of last change in nanoseconds" }, { "st_blksize", "blocksize for filesystem I/O" },
    { "st_blocks", "number of blocks allocated" }, { "st_rdev", "device type (if inode device)" },
    { 0 }
};

static PyStructSequence_Desc stat_desc = { "os.stat_result", "The result of stat(), fstat() or lstat(): a tuple of ten integers with names.",
                                           stat_fields, 10 };

static PyStructSequence_Field statvfs_fields[] = {
    { "f_bsize", NULL }, { "f_frsize", NULL }, { "f_blocks", NULL }, { "f_bfree", NULL }, { "f_bavail", NULL }, { "f_files", NULL },
    { "f_ffree", NULL }, { "f_favail", NULL }, { "f_flag", NULL }, { "f_namemax", NULL }, { "f_fsid", NULL },
    { 0 }
};

static PyStructSequence_Desc statvfs_desc = { "os.statvfs_result", "The result of statvfs() or fstatvfs().", statvfs_fields, 10 };

static PyObject *stat_result_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *o = structseq_new(type, args, kwargs);
    for (int i = 7; o && i <= 9; i++) {                   /* float times default to the integer ones */
        if (PyStructSequence_GetItem(o, i + 3) == NULL || PyStructSequence_GetItem(o, i + 3) == Py_None) {
            PyObject *old = PyStructSequence_GetItem(o, i + 3);
            PyStructSequence_SetItem(o, i + 3, Py_NewRef(PyStructSequence_GetItem(o, i)));
            Py_XDECREF(old);
        }
    }
    return o;
}

/* Seconds and nanoseconds as int, float and int of nanoseconds, at places i, i + 3, i + 6. */
static int set_time(PyObject *module, PyObject *o, int i, const struct timespec *ts)
{
    PyObject *seconds = PyLong_FromLongLong(ts->tv_sec), *ns = NULL, *product, *rest;
    if (!seconds) return -1;
    if (ts->tv_sec >= -9223372035LL && ts->tv_sec <= 9223372035LL) ns = PyLong_FromLongLong(ts->tv_sec * 1000000000LL + ts->tv_nsec);
    else if ((product = PyNumber_Multiply(seconds, posix_state(module)->billion))) {
        if ((rest = PyLong_FromLong(ts->tv_nsec))) ns = PyNumber_Add(product, rest);
        Py_DECREF(product);
        Py_XDECREF(rest);
    }
    PyObject *real = ns ? PyFloat_FromDouble((double)ts->tv_sec + 1e-9 * (double)ts->tv_nsec) : NULL;
    if (!real) {
        Py_DECREF(seconds);
        Py_XDECREF(ns);
        return -1;
    }
    PyStructSequence_SetItem(o, i, seconds);
    PyStructSequence_SetItem(o, i + 3, real);
    PyStructSequence_SetItem(o, i + 6, ns);
    return 0;
}

PyObject *stat_to_object(PyObject *module, const struct stat *st)
{
    PyObject *o = PyStructSequence_New(posix_state(module)->stat_result);
    if (!o) return NULL;
#define SET(i, value) PyStructSequence_SetItem(o, i, value)
    SET(0, PyLong_FromLong((long)st->st_mode));
    SET(1, PyLong_FromUnsignedLongLong(st->st_ino));
    SET(2, PyLong_FromUnsignedLongLong(st->st_dev));
    SET(3, PyLong_FromLong((long)st->st_nlink));
    SET(4, id_object(st->st_uid));
    SET(5, id_object(st->st_gid));
    SET(6, PyLong_FromLongLong(st->st_size));
    SET(16, PyLong_FromLong(st->st_blksize));
    SET(17, PyLong_FromLongLong(st->st_blocks));
    SET(18, PyLong_FromUnsignedLongLong(st->st_rdev));
    if (set_time(module, o, 7, &st->st_atim) < 0 || set_time(module, o, 8, &st->st_mtim) < 0 || set_time(module, o, 9, &st->st_ctim) < 0
        || PyErr_Occurred()) Py_CLEAR(o);
    return o;
}

static PyObject *do_stat(PyObject *module, const char *name, PyObject *value, PyObject *dir, int follow, int allowed)
{
    int dir_fd, result;
    struct stat st;
    Path path;
    if (follow < 0 || dir_fd_get(dir, &dir_fd) < 0) return NULL;
    if (path_get(&path, name, "path", value, allowed) < 0) return NULL;
    PyObject *o = NULL;
    if (!path.narrow && dir_fd != AT_FDCWD) PyErr_Format(PyExc_ValueError, "%s: can't specify dir_fd without matching path", name);
    else if (!path.narrow && !follow) PyErr_Format(PyExc_ValueError, "%s: cannot use fd and follow_symlinks together", name);
    else {
        if (!path.narrow) UNLOCKED(result, fstat(path.fd, &st));
        else UNLOCKED(result, fstatat(dir_fd, path.narrow, &st, follow ? 0 : AT_SYMLINK_NOFOLLOW));
        o = result < 0 ? path_error(&path) : stat_to_object(module, &st);
    }
    path_done(&path);
    return o;
}

BUILTIN(posix, stat, KEYWORDS, "($module, /, path, *, dir_fd=None, follow_symlinks=True)",
        "Perform a stat system call on a path or an open descriptor.")
{
    return do_stat(self, "stat", arg[0], arg[1], flag_get(arg[2], 1), PATH_FD);
}

BUILTIN(posix, lstat, KEYWORDS, "($module, /, path, *, dir_fd=None)", "Perform a stat system call without following symbolic links.")
{
    return do_stat(self, "lstat", arg[0], arg[1], 0, 0);
}

BUILTIN(posix, fstat, KEYWORDS, "($module, /, fd)", "Perform a stat system call on the given file descriptor.")
{
    int fd, result;
    bool interrupted;
    struct stat st;
    if (int_get(arg[0], &fd) < 0) return NULL;
    UNLOCKED_RETRY(result, fstat(fd, &st), interrupted);
    if (interrupted) return NULL;
    return result < 0 ? posix_error() : stat_to_object(self, &st);
}

static PyObject *statvfs_to_object(PyObject *module, const struct statvfs *st)
{
    PyObject *o = PyStructSequence_New(posix_state(module)->statvfs_result);
    if (!o) return NULL;
    SET(0, PyLong_FromUnsignedLong(st->f_bsize));
    SET(1, PyLong_FromUnsignedLong(st->f_frsize));
    SET(2, PyLong_FromUnsignedLongLong(st->f_blocks));
    SET(3, PyLong_FromUnsignedLongLong(st->f_bfree));
    SET(4, PyLong_FromUnsignedLongLong(st->f_bavail));
    SET(5, PyLong_FromUnsignedLongLong(st->f_files));
    SET(6, PyLong_FromUnsignedLongLong(st->f_ffree));
    SET(7, PyLong_FromUnsignedLongLong(st->f_favail));
    SET(8, PyLong_FromUnsignedLong(st->f_flag));
    SET(9, PyLong_FromUnsignedLong(st->f_namemax));
    SET(10, PyLong_FromUnsignedLong(st->f_fsid));
    if (PyErr_Occurred()) Py_CLEAR(o);
    return o;
}

BUILTIN(posix, statvfs, KEYWORDS, "($module, /, path)", "Perform a statvfs system call on a path or an open descriptor.")
{
    int result;
    struct statvfs st;
    Path path;
    if (path_get(&path, "statvfs", "path", arg[0], PATH_FD) < 0) return NULL;
    UNLOCKED(result, path.narrow ? statvfs(path.narrow, &st) : fstatvfs(path.fd, &st));
    PyObject *o = result < 0 ? path_error(&path) : statvfs_to_object(self, &st);
    path_done(&path);
    return o;
}

BUILTIN_O(posix, fstatvfs, "($module, fd, /)", "Perform an fstatvfs system call on the given descriptor.")
{
    int fd, result;
    bool interrupted;
    struct statvfs st;
    if (int_get(arg, &fd) < 0) return NULL;
    UNLOCKED_RETRY(result, fstatvfs(fd, &st), interrupted);
    if (interrupted) return NULL;
    return result < 0 ? posix_error() : statvfs_to_object(self, &st);
}

/* NODEV is written -1, alone or in its parts. */
static int device_get(PyObject *value, dev_t *device)
{
    int overflow;
    if (PyLong_Check(value) && PyLong_AsLongAndOverflow(value, &overflow) == -1 && !overflow) {
        *device = (dev_t)-1;
        return 0;
    }
    *device = (dev_t)PyLong_AsUnsignedLongLong(value);
    return *device == (dev_t)-1 && PyErr_Occurred() ? -1 : 0;
}

static int device_part_get(PyObject *value, unsigned *part)
{
    dev_t number;
    if (device_get(value, &number) < 0) return -1;
    if (number > UINT_MAX && number != (dev_t)-1) {
        PyErr_SetString(PyExc_OverflowError, "Python int too large to convert to C unsigned int");
        return -1;
    }
    *part = (unsigned)number;
    return 0;
}

BUILTIN_O(posix, major, "($module, device, /)", "Extracts a device major number from a raw device number.")
{
    dev_t device;
    return device_get(arg, &device) < 0 ? NULL : device == (dev_t)-1 ? PyLong_FromLong(-1) : PyLong_FromUnsignedLong(major(device));
}

BUILTIN_O(posix, minor, "($module, device, /)", "Extracts a device minor number from a raw device number.")
{
    dev_t device;
    return device_get(arg, &device) < 0 ? NULL : device == (dev_t)-1 ? PyLong_FromLong(-1) : PyLong_FromUnsignedLong(minor(device));
}

BUILTIN(posix, makedev, POSITIONAL, "($module, major, minor, /)", "Composes a raw device number from its major and minor numbers.")
{
    unsigned high, low;
    if (device_part_get(arg[0], &high) < 0 || device_part_get(arg[1], &low) < 0) return NULL;
    dev_t device = makedev(high, low);
    return device == (dev_t)-1 ? PyLong_FromLong(-1) : PyLong_FromUnsignedLongLong(device);
}

int posix_add_stat_types(PyObject *module, PosixState *state)
{
    stat_fields[7].name = stat_fields[8].name = stat_fields[9].name = PyStructSequence_UnnamedField;
    if (!(state->stat_result = PyStructSequence_NewType(&stat_desc))) return -1;
    state->stat_result->tp_new = stat_result_new;
    if (!(state->statvfs_result = PyStructSequence_NewType(&statvfs_desc))) return -1;
    if (PyModule_AddObjectRef(module, "stat_result", (PyObject *)state->stat_result) < 0) return -1;
    return PyModule_AddObjectRef(module, "statvfs_result", (PyObject *)state->statvfs_result);
}

PyMethodDef posix_stat_methods[] = {
    METHOD(posix, stat), METHOD(posix, lstat), METHOD(posix, fstat), METHOD(posix, statvfs), METHOD(posix, fstatvfs),
    METHOD(posix, major), METHOD(posix, minor), METHOD(posix, makedev),
    { 0 }
};
