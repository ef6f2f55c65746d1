/* posix: listing directories: listdir, scandir and DirEntry. */
#include "posix_private.h"

#include <dirent.h>
#include <structmember.h>

/* The directory to list: a path (default "."), or a duplicate of a descriptor, because closedir closes it. */
static DIR *directory_open(Path *path)
{
    DIR *dir;
    if (path->fd >= 0) {
        int fd = fcntl(path->fd, F_DUPFD_CLOEXEC, 0);
        if (fd < 0) {
            posix_error();
            return NULL;
        }
        UNLOCKED(dir, fdopendir(fd));
        if (!dir) {
            int saved = errno;
            close(fd);
            errno = saved;
        }
    }
    else UNLOCKED(dir, opendir(path->narrow ? path->narrow : "."));
    if (!dir) path_error(path);
    return dir;
}

static void directory_close(Path *path, DIR *dir)
{
    Py_BEGIN_ALLOW_THREADS
    if (path->fd >= 0) rewinddir(dir);
    closedir(dir);
    Py_END_ALLOW_THREADS
}

static bool is_dot(const char *name) { return name[0] == '.' && (!name[1] || (name[1] == '.' && !name[2])); }

BUILTIN(posix, listdir, KEYWORDS, "($module, /, path=None)",
        "Return a list with the names of the files in the directory, in no particular order, as str, or bytes for a bytes path.")
{
    Path path;
    PyObject *list = NULL;
    DIR *dir = NULL;
    if (path_get(&path, "listdir", "path", arg[0], PATH_FD | PATH_NULLABLE) < 0) return NULL;
    if (PySys_Audit("os.listdir", "O", path.object) < 0 || !(dir = directory_open(&path)) || !(list = PyList_New(0))) goto done;
    for (;;) {
        struct dirent *entry;
        errno = 0;
        UNLOCKED(entry, readdir(dir));
        if (!entry) {
            if (errno) {
                path_error(&path);
                Py_CLEAR(list);
            }
            break;
        }
        if (is_dot(entry->d_name)) continue;
        PyObject *name = path.is_bytes ? PyBytes_FromString(entry->d_name) : PyUnicode_DecodeFSDefault(entry->d_name);
        if (!name || PyList_Append(list, name) < 0) Py_CLEAR(list);
        Py_XDECREF(name);
        if (!list) break;
    }
done:
    if (dir) directory_close(&path, dir);
    path_done(&path);
    return list;
}

/* ---- DirEntry -------------------------------------------------------------------------------------------------------- */

typedef struct DirEntry {
    PyObject_HEAD
    PyObject *module, *name, *path, *stat, *lstat;
    ino_t inode;
    int dir_fd;                               /* -1: listed by path */
    unsigned char type;                       /* DT_* */
} DirEntry;

static void entry_dealloc(PyObject *self)
{
    DirEntry *entry = (DirEntry *)self;
    PyTypeObject *type = Py_TYPE(self);
    Py_XDECREF(entry->module);
    Py_XDECREF(entry->name);
    Py_XDECREF(entry->path);
    Py_XDECREF(entry->stat);
    Py_XDECREF(entry->lstat);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyObject *entry_fetch_stat(DirEntry *entry, int follow)
{
    struct stat st;
    int result;
    PyObject *bytes = NULL;
    if (!PyUnicode_FSConverter(entry->path, &bytes)) return NULL;
    if (entry->dir_fd >= 0) {
        PyObject *name = NULL;
        if (!PyUnicode_FSConverter(entry->name, &name)) {
            Py_DECREF(bytes);
            return NULL;
        }
        Py_SETREF(bytes, name);
    }
    UNLOCKED(result, fstatat(entry->dir_fd >= 0 ? entry->dir_fd : AT_FDCWD, PyBytes_AS_STRING(bytes), &st, follow ? 0 : AT_SYMLINK_NOFOLLOW));
    Py_DECREF(bytes);
    if (result < 0) return PyErr_SetFromErrnoWithFilenameObject(PyExc_OSError, entry->path);
    return stat_to_object(entry->module, &st);
}

static PyObject *entry_lstat(DirEntry *entry)
{
    if (!entry->lstat) entry->lstat = entry_fetch_stat(entry, 0);
    return Py_XNewRef(entry->lstat);
}

/* 0, 1 or -1. */
static int entry_is_link(DirEntry *entry)
{
    if (entry->type != DT_UNKNOWN) return entry->type == DT_LNK;
    PyObject *st = entry_lstat(entry), *mode = st ? PyObject_GetAttrString(st, "st_mode") : NULL;
    long value = mode ? PyLong_AsLong(mode) : -1;
    Py_XDECREF(mode);
    Py_XDECREF(st);
    return value == -1 && PyErr_Occurred() ? -1 : S_ISLNK((mode_t)value);
}

static PyObject *entry_get_stat(DirEntry *entry, int follow)
{
    if (!follow) return entry_lstat(entry);
    if (!entry->stat) {
        int link = entry_is_link(entry);
        if (link < 0) return NULL;
        entry->stat = link ? entry_fetch_stat(entry, 1) : entry_lstat(entry);
    }
    return Py_XNewRef(entry->stat);
}

static PyObject *entry_test_mode(DirEntry *entry, int follow, mode_t wanted)
{
    int link = entry_is_link(entry);
    if (link < 0) return NULL;
    if (entry->type != DT_UNKNOWN && !(follow && link))
        return PyBool_FromLong(!link && (wanted == S_IFDIR ? entry->type == DT_DIR : entry->type == DT_REG));
    PyObject *st = entry_get_stat(entry, follow);
    if (!st) {
        if (!PyErr_ExceptionMatches(PyExc_FileNotFoundError)) return NULL;
        PyErr_Clear();                        /* a link to nothing */
        Py_RETURN_FALSE;
    }
    PyObject *mode = PyObject_GetAttrString(st, "st_mode");
    Py_DECREF(st);
    long value = mode ? PyLong_AsLong(mode) : -1;
    Py_XDECREF(mode);
    if (value == -1 && PyErr_Occurred()) return NULL;
    return PyBool_FromLong(((mode_t)value & S_IFMT) == wanted);
}

BUILTIN(DirEntry, is_dir, KEYWORDS, "($self, /, *, follow_symlinks=True)", "Return True if the entry is a directory; cached per entry.")
{
    int follow = flag_get(arg[0], 1);
    return follow < 0 ? NULL : entry_test_mode((DirEntry *)self, follow, S_IFDIR);
}

BUILTIN(DirEntry, is_file, KEYWORDS, "($self, /, *, follow_symlinks=True)", "Return True if the entry is a file; cached per entry.")
{
    int follow = flag_get(arg[0], 1);
    return follow < 0 ? NULL : entry_test_mode((DirEntry *)self, follow, S_IFREG);
}

BUILTIN_NOARGS(DirEntry, is_symlink, "($self, /)", "Return True if the entry is a symbolic link; cached per entry.")
{
    int link = entry_is_link((DirEntry *)self);
    return link < 0 ? NULL : PyBool_FromLong(link);
}

BUILTIN_NOARGS(DirEntry, is_junction, "($self, /)", "Return True if the entry is a junction; cached per entry.") { Py_RETURN_FALSE; }

BUILTIN(DirEntry, stat, KEYWORDS, "($self, /, *, follow_symlinks=True)", "Return stat_result object for the entry; cached per entry.")
{
    int follow = flag_get(arg[0], 1);
    return follow < 0 ? NULL : entry_get_stat((DirEntry *)self, follow);
}

BUILTIN_NOARGS(DirEntry, inode, "($self, /)", "Return inode of the entry; cached per entry.")
{
    return PyLong_FromUnsignedLongLong(((DirEntry *)self)->inode);
}

BUILTIN_NOARGS(DirEntry, __fspath__, "($self, /)", "Returns the path for the entry.") { return Py_NewRef(((DirEntry *)self)->path); }

static PyObject *entry_repr(PyObject *self) { return PyUnicode_FromFormat("<DirEntry %R>", ((DirEntry *)self)->name); }

static PyMethodDef entry_methods[] = {
    METHOD(DirEntry, is_dir), METHOD(DirEntry, is_file), METHOD(DirEntry, is_symlink), METHOD(DirEntry, is_junction),
    METHOD(DirEntry, stat), METHOD(DirEntry, inode), METHOD(DirEntry, __fspath__),
    { "__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, PyDoc_STR("See PEP 585") },
    { 0 }
};

static PyMemberDef entry_members[] = {
    { "name", Py_T_OBJECT_EX, offsetof(DirEntry, name), Py_READONLY, "the entry's base filename, relative to scandir() \"path\" argument" },
    { "path", Py_T_OBJECT_EX, offsetof(DirEntry, path), Py_READONLY, "the entry's full path name; equivalent to os.path.join(scandir_path, entry.name)" },
    { 0 }
};

static PyType_Slot entry_slots[] = {
    { Py_tp_dealloc, entry_dealloc }, { Py_tp_repr, entry_repr }, { Py_tp_methods, entry_methods }, { Py_tp_members, entry_members },
    { 0, NULL }
};

PyType_Spec posix_dir_entry_spec = {
    "posix.DirEntry", sizeof(DirEntry), 0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE, entry_slots
};

/* ---- scandir --------------------------------------------------------------------------------------------------------------- */

typedef struct ScandirIterator {
    PyObject_HEAD
    PyObject *module;
    Path path;
    DIR *dir;                                 /* NULL: exhausted or closed */
    int fd;                                   /* the caller's descriptor, or -1 */
} ScandirIterator;

static void iterator_close(ScandirIterator *it)
{
    DIR *dir = it->dir;
    it->dir = NULL;
    if (dir) directory_close(&it->path, dir);
}

static PyObject *entry_new(ScandirIterator *it, const struct dirent *found)
{
    PosixState *state = posix_state(it->module);
    DirEntry *entry = PyObject_New(DirEntry, state->dir_entry);
    if (!entry) return NULL;
    entry->module = Py_NewRef(it->module);
    entry->name = entry->path = entry->stat = entry->lstat = NULL;
    entry->dir_fd = it->fd;
    entry->type = found->d_type;
    entry->inode = found->d_ino;
    entry->name = it->path.is_bytes ? PyBytes_FromString(found->d_name) : PyUnicode_DecodeFSDefault(found->d_name);
    if (it->fd >= 0) entry->path = Py_XNewRef(entry->name);
    else if (entry->name) {
        const char *folder = it->path.narrow ? it->path.narrow : ".";
        size_t a = strlen(folder), b = strlen(found->d_name);
        char *joined = PyMem_Malloc(a + b + 2);
        if (!joined) PyErr_NoMemory();
        else {
            memcpy(joined, folder, a);
            if (a && joined[a - 1] != '/') joined[a++] = '/';
            memcpy(joined + a, found->d_name, b + 1);
            entry->path = it->path.is_bytes ? PyBytes_FromString(joined) : PyUnicode_DecodeFSDefault(joined);
            PyMem_Free(joined);
        }
    }
    if (!entry->path) Py_CLEAR(entry);
    return (PyObject *)entry;
}

static PyObject *scandir_next(PyObject *self)
{
    ScandirIterator *it = (ScandirIterator *)self;
    while (it->dir) {
        struct dirent *found;
        errno = 0;
        UNLOCKED(found, readdir(it->dir));
        if (!found) {
            if (errno) path_error(&it->path);
            iterator_close(it);
            return NULL;
        }
        if (is_dot(found->d_name)) continue;
        PyObject *entry = entry_new(it, found);
        if (!entry) iterator_close(it);
        return entry;
    }
    return NULL;
}

BUILTIN_NOARGS(scandir, close, "($self, /)", "Close the iterator and release its resources.")
{
    iterator_close((ScandirIterator *)self);
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(scandir, __enter__, "($self, /)", "") { return Py_NewRef(self); }

BUILTIN_FAST(scandir, __exit__, "($self, /, *args)", "")
{
    iterator_close((ScandirIterator *)self);
    Py_RETURN_NONE;
}

static void scandir_finalize(PyObject *self)
{
    ScandirIterator *it = (ScandirIterator *)self;
    if (!it->dir) return;
    PyObject *pending = PyErr_GetRaisedException();
    if (PyErr_ResourceWarning(self, 1, "unclosed scandir iterator %R", self) && PyErr_ExceptionMatches(PyExc_Warning))
        PyErr_WriteUnraisable(self);
    iterator_close(it);
    PyErr_SetRaisedException(pending);
}

static void scandir_dealloc(PyObject *self)
{
    ScandirIterator *it = (ScandirIterator *)self;
    PyTypeObject *type = Py_TYPE(self);
    if (PyObject_CallFinalizerFromDealloc(self) < 0) return;
    path_done(&it->path);
    Py_XDECREF(it->module);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMethodDef scandir_methods[] = { METHOD(scandir, close), METHOD(scandir, __enter__), METHOD(scandir, __exit__), { 0 } };

static PyType_Slot scandir_slots[] = {
    { Py_tp_dealloc, scandir_dealloc }, { Py_tp_finalize, scandir_finalize }, { Py_tp_iter, PyObject_SelfIter },
    { Py_tp_iternext, scandir_next }, { Py_tp_methods, scandir_methods }, { 0, NULL }
};

PyType_Spec posix_scandir_iterator_spec = {
    "posix.ScandirIterator", sizeof(ScandirIterator), 0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_FINALIZE | Py_TPFLAGS_DISALLOW_INSTANTIATION, scandir_slots
};

BUILTIN(posix, scandir, KEYWORDS, "($module, /, path=None)", "Return an iterator of DirEntry objects for given path.")
{
    if (PySys_Audit("os.scandir", "O", arg[0] ? arg[0] : Py_None) < 0) return NULL;
    ScandirIterator *it = PyObject_New(ScandirIterator, posix_state(self)->scandir_iterator);
    if (!it) return NULL;
    it->module = Py_NewRef(self);
    it->dir = NULL;
    it->fd = -1;
    if (path_get(&it->path, "scandir", "path", arg[0], PATH_FD | PATH_NULLABLE) < 0) {
        it->path.object = it->path.bytes = NULL;
        Py_DECREF(it);
        return NULL;
    }
    it->fd = it->path.fd;
    if (!(it->dir = directory_open(&it->path))) Py_CLEAR(it);
    return (PyObject *)it;
}

PyMethodDef posix_directory_methods[] = { METHOD(posix, listdir), METHOD(posix, scandir), { 0 } };
