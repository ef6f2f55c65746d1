/* _stat: constants and tests of file modes. */
#include "taipan.h"
#include "capi/args.h"

#include <sys/stat.h>

static int mode_of(PyObject *o, mode_t *mode)
{
    unsigned long value = PyLong_AsUnsignedLong(o);
    if (value == (unsigned long)-1 && PyErr_Occurred()) return -1;
    *mode = (mode_t)value;
    if ((unsigned long)*mode == value) return 0;
    PyErr_SetString(PyExc_OverflowError, "mode out of range");
    return -1;
}

#define MODE_TEST(name, condition, what) \
    BUILTIN_DOC_(stat, name, "(mode) -> bool\n\nReturn True if mode is from " what ".", "") \
    static PyObject *stat_##name(PyObject *Py_UNUSED(self), PyObject *arg) \
    { \
        mode_t mode; \
        if (mode_of(arg, &mode) < 0) return NULL; \
        (void)mode; \
        return PyBool_FromLong(condition); \
    }
#undef BUILTIN_DOC_
#define BUILTIN_DOC_(owner, name_, sig, text) static const char owner##_##name_##_doc[] = #name_ sig;
MODE_TEST(S_ISDIR, S_ISDIR(mode), "a directory")
MODE_TEST(S_ISCHR, S_ISCHR(mode), "a character special device file")
MODE_TEST(S_ISBLK, S_ISBLK(mode), "a block special device file")
MODE_TEST(S_ISREG, S_ISREG(mode), "a regular file")
MODE_TEST(S_ISFIFO, S_ISFIFO(mode), "a FIFO (named pipe)")
MODE_TEST(S_ISLNK, S_ISLNK(mode), "a symbolic link")
MODE_TEST(S_ISSOCK, S_ISSOCK(mode), "a socket")
MODE_TEST(S_ISDOOR, 0, "a door")
MODE_TEST(S_ISPORT, 0, "an event port")
MODE_TEST(S_ISWHT, 0, "a whiteout")

static PyObject *stat_S_IMODE(PyObject *Py_UNUSED(self), PyObject *arg)
{
    mode_t mode;
    return mode_of(arg, &mode) < 0 ? NULL : PyLong_FromUnsignedLong(mode & 07777);
}

static PyObject *stat_S_IFMT(PyObject *Py_UNUSED(self), PyObject *arg)
{
    mode_t mode;
    return mode_of(arg, &mode) < 0 ? NULL : PyLong_FromUnsignedLong(mode & S_IFMT);
}

static char file_type(mode_t mode)
{
    if (S_ISREG(mode)) return '-';
    if (S_ISDIR(mode)) return 'd';
    if (S_ISLNK(mode)) return 'l';
    if (S_ISBLK(mode)) return 'b';
    if (S_ISCHR(mode)) return 'c';
    if (S_ISFIFO(mode)) return 'p';
    if (S_ISSOCK(mode)) return 's';
    return '?';
}

static PyObject *stat_filemode(PyObject *Py_UNUSED(self), PyObject *arg)
{
    mode_t mode;
    char text[10];
    if (mode_of(arg, &mode) < 0) return NULL;
    text[0] = file_type(mode);
    for (int i = 0; i < 9; i++) text[1 + i] = mode & (0400u >> i) ? "rwx"[i % 3] : '-';
    if (mode & S_ISUID) text[3] = mode & S_IXUSR ? 's' : 'S';
    if (mode & S_ISGID) text[6] = mode & S_IXGRP ? 's' : 'S';
    if (mode & S_ISVTX) text[9] = mode & S_IXOTH ? 't' : 'T';
    return PyUnicode_FromStringAndSize(text, 10);
}

#define TEST(name) { #name, stat_##name, METH_O, stat_##name##_doc }
static PyMethodDef stat_methods[] = {
    TEST(S_ISDIR), TEST(S_ISCHR), TEST(S_ISBLK), TEST(S_ISREG), TEST(S_ISFIFO), TEST(S_ISLNK), TEST(S_ISSOCK), TEST(S_ISDOOR),
    TEST(S_ISPORT), TEST(S_ISWHT),
    {"S_IMODE", stat_S_IMODE, METH_O, "Return the portion of the file's mode that can be set by os.chmod()."},
    {"S_IFMT", stat_S_IFMT, METH_O, "Return the portion of the file's mode that describes the file type."},
    {"filemode", stat_filemode, METH_O, "Convert a file's mode to a string of the form '-rwxrwxrwx'"}, {0}
};

static int stat_exec(PyObject *module)
{
    static const struct { const char *name; unsigned long value; } constants[] = {
        {"S_IFDIR", S_IFDIR}, {"S_IFCHR", S_IFCHR}, {"S_IFBLK", S_IFBLK}, {"S_IFREG", S_IFREG}, {"S_IFIFO", S_IFIFO},
        {"S_IFLNK", S_IFLNK}, {"S_IFSOCK", S_IFSOCK}, {"S_IFDOOR", 0}, {"S_IFPORT", 0}, {"S_IFWHT", 0},
        {"S_ISUID", S_ISUID}, {"S_ISGID", S_ISGID}, {"S_ISVTX", S_ISVTX}, {"S_ENFMT", S_ISGID},
        {"S_IREAD", S_IRUSR}, {"S_IWRITE", S_IWUSR}, {"S_IEXEC", S_IXUSR},
        {"S_IRWXU", S_IRWXU}, {"S_IRUSR", S_IRUSR}, {"S_IWUSR", S_IWUSR}, {"S_IXUSR", S_IXUSR},
        {"S_IRWXG", S_IRWXG}, {"S_IRGRP", S_IRGRP}, {"S_IWGRP", S_IWGRP}, {"S_IXGRP", S_IXGRP},
        {"S_IRWXO", S_IRWXO}, {"S_IROTH", S_IROTH}, {"S_IWOTH", S_IWOTH}, {"S_IXOTH", S_IXOTH},
        {"UF_SETTABLE", 0x0000ffff}, {"UF_NODUMP", 1}, {"UF_IMMUTABLE", 2}, {"UF_APPEND", 4}, {"UF_OPAQUE", 8},
        {"UF_NOUNLINK", 0x10}, {"UF_COMPRESSED", 0x20}, {"UF_TRACKED", 0x40}, {"UF_DATAVAULT", 0x80}, {"UF_HIDDEN", 0x8000},
        {"SF_SETTABLE", 0xffff0000}, {"SF_ARCHIVED", 0x10000}, {"SF_IMMUTABLE", 0x20000}, {"SF_APPEND", 0x40000},
        {"SF_NOUNLINK", 0x100000}, {"SF_SNAPSHOT", 0x200000}, {"SF_FIRMLINK", 0x800000}, {"SF_DATALESS", 0x40000000},
        {"ST_MODE", 0}, {"ST_INO", 1}, {"ST_DEV", 2}, {"ST_NLINK", 3}, {"ST_UID", 4}, {"ST_GID", 5}, {"ST_SIZE", 6},
        {"ST_ATIME", 7}, {"ST_MTIME", 8}, {"ST_CTIME", 9},
    };
    for (size_t i = 0; i < sizeof constants / sizeof *constants; i++) {
        PyObject *value = PyLong_FromUnsignedLong(constants[i].value);
        int status = PyModule_AddObjectRef(module, constants[i].name, value);
        Py_XDECREF(value);
        if (status < 0) return -1;
    }
    return 0;
}

static PyModuleDef_Slot stat_slots[] = {
    {Py_mod_exec, (void *)stat_exec}, {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED}, {0, NULL}
};

static PyModuleDef stat_module = {
    PyModuleDef_HEAD_INIT, .m_name = "_stat",
    .m_doc = "Bits of file modes (S_*), indices of os.stat()'s tuple (ST_*), file flags (UF_*, SF_*), and tests of modes.\n",
    .m_size = 0, .m_methods = stat_methods, .m_slots = stat_slots,
};

PyMODINIT_FUNC PyInit__stat(void) { return PyModuleDef_Init(&stat_module); }
