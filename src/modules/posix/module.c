/* The posix module: what os.py builds on. The functions are in the other files of this folder, by theme. */
#include "posix_private.h"

#include <dlfcn.h>
#include <linux/limits.h>
#include <pty.h>
#include <sched.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/xattr.h>
#include <sysexits.h>

#ifndef P_PIDFD
#define P_PIDFD 3
#endif
#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif

static const struct { const char *name; long long value; } constants[] = {
    { "CLD_CONTINUED", CLD_CONTINUED }, { "CLD_DUMPED", CLD_DUMPED }, { "CLD_EXITED", CLD_EXITED },
    { "CLD_KILLED", CLD_KILLED }, { "CLD_STOPPED", CLD_STOPPED }, { "CLD_TRAPPED", CLD_TRAPPED },
    { "CLONE_FILES", CLONE_FILES }, { "CLONE_FS", CLONE_FS }, { "CLONE_NEWCGROUP", CLONE_NEWCGROUP },
    { "CLONE_NEWIPC", CLONE_NEWIPC }, { "CLONE_NEWNET", CLONE_NEWNET }, { "CLONE_NEWNS", CLONE_NEWNS },
    { "CLONE_NEWPID", CLONE_NEWPID }, { "CLONE_NEWTIME", CLONE_NEWTIME }, { "CLONE_NEWUSER", CLONE_NEWUSER },
    { "CLONE_NEWUTS", CLONE_NEWUTS }, { "CLONE_SIGHAND", CLONE_SIGHAND }, { "CLONE_SYSVSEM", CLONE_SYSVSEM },
    { "CLONE_THREAD", CLONE_THREAD }, { "CLONE_VM", CLONE_VM }, { "EFD_CLOEXEC", EFD_CLOEXEC },
    { "EFD_NONBLOCK", EFD_NONBLOCK }, { "EFD_SEMAPHORE", EFD_SEMAPHORE }, { "EX_CANTCREAT", EX_CANTCREAT },
    { "EX_CONFIG", EX_CONFIG }, { "EX_DATAERR", EX_DATAERR }, { "EX_IOERR", EX_IOERR }, { "EX_NOHOST", EX_NOHOST },
    { "EX_NOINPUT", EX_NOINPUT }, { "EX_NOPERM", EX_NOPERM }, { "EX_NOUSER", EX_NOUSER }, { "EX_OK", EX_OK },
    { "EX_OSERR", EX_OSERR }, { "EX_OSFILE", EX_OSFILE }, { "EX_PROTOCOL", EX_PROTOCOL },
    { "EX_SOFTWARE", EX_SOFTWARE }, { "EX_TEMPFAIL", EX_TEMPFAIL }, { "EX_UNAVAILABLE", EX_UNAVAILABLE },
    { "EX_USAGE", EX_USAGE }, { "F_LOCK", F_LOCK }, { "F_OK", F_OK }, { "F_TEST", F_TEST }, { "F_TLOCK", F_TLOCK },
    { "F_ULOCK", F_ULOCK }, { "GRND_NONBLOCK", GRND_NONBLOCK }, { "GRND_RANDOM", GRND_RANDOM },
    { "MFD_ALLOW_SEALING", MFD_ALLOW_SEALING }, { "MFD_CLOEXEC", MFD_CLOEXEC }, { "MFD_HUGETLB", MFD_HUGETLB },
    { "MFD_HUGE_16GB", 2281701376 }, { "MFD_HUGE_16MB", 1610612736 }, { "MFD_HUGE_1GB", 2013265920 },
    { "MFD_HUGE_1MB", 1342177280 }, { "MFD_HUGE_256MB", 1879048192 }, { "MFD_HUGE_2GB", 2080374784 },
    { "MFD_HUGE_2MB", 1409286144 }, { "MFD_HUGE_32MB", 1677721600 }, { "MFD_HUGE_512KB", 1275068416 },
    { "MFD_HUGE_512MB", 1946157056 }, { "MFD_HUGE_64KB", 1073741824 }, { "MFD_HUGE_8MB", 1543503872 },
    { "MFD_HUGE_MASK", 63 }, { "MFD_HUGE_SHIFT", 26 }, { "NGROUPS_MAX", NGROUPS_MAX }, { "O_ACCMODE", O_ACCMODE },
    { "O_APPEND", O_APPEND }, { "O_ASYNC", O_ASYNC }, { "O_CLOEXEC", O_CLOEXEC }, { "O_CREAT", O_CREAT },
    { "O_DIRECT", O_DIRECT }, { "O_DIRECTORY", O_DIRECTORY }, { "O_DSYNC", O_DSYNC }, { "O_EXCL", O_EXCL },
    { "O_FSYNC", O_FSYNC }, { "O_LARGEFILE", O_LARGEFILE }, { "O_NDELAY", O_NDELAY }, { "O_NOATIME", O_NOATIME },
    { "O_NOCTTY", O_NOCTTY }, { "O_NOFOLLOW", O_NOFOLLOW }, { "O_NONBLOCK", O_NONBLOCK }, { "O_PATH", O_PATH },
    { "O_RDONLY", O_RDONLY }, { "O_RDWR", O_RDWR }, { "O_RSYNC", O_RSYNC }, { "O_SYNC", O_SYNC },
    { "O_TMPFILE", O_TMPFILE }, { "O_TRUNC", O_TRUNC }, { "O_WRONLY", O_WRONLY }, { "PIDFD_NONBLOCK", 2048 },
    { "POSIX_FADV_DONTNEED", POSIX_FADV_DONTNEED }, { "POSIX_FADV_NOREUSE", POSIX_FADV_NOREUSE },
    { "POSIX_FADV_NORMAL", POSIX_FADV_NORMAL }, { "POSIX_FADV_RANDOM", POSIX_FADV_RANDOM },
    { "POSIX_FADV_SEQUENTIAL", POSIX_FADV_SEQUENTIAL }, { "POSIX_FADV_WILLNEED", POSIX_FADV_WILLNEED },
    { "POSIX_SPAWN_CLOSE", 1 }, { "POSIX_SPAWN_CLOSEFROM", 3 }, { "POSIX_SPAWN_DUP2", 2 }, { "POSIX_SPAWN_OPEN", 0 },
    { "PRIO_PGRP", PRIO_PGRP }, { "PRIO_PROCESS", PRIO_PROCESS }, { "PRIO_USER", PRIO_USER }, { "P_ALL", P_ALL },
    { "P_PGID", P_PGID }, { "P_PID", P_PID }, { "P_PIDFD", P_PIDFD }, { "RTLD_DEEPBIND", RTLD_DEEPBIND },
    { "RTLD_GLOBAL", RTLD_GLOBAL }, { "RTLD_LAZY", RTLD_LAZY }, { "RTLD_LOCAL", RTLD_LOCAL },
    { "RTLD_NODELETE", RTLD_NODELETE }, { "RTLD_NOLOAD", RTLD_NOLOAD }, { "RTLD_NOW", RTLD_NOW },
    { "RWF_APPEND", RWF_APPEND }, { "RWF_DSYNC", RWF_DSYNC }, { "RWF_HIPRI", RWF_HIPRI },
    { "RWF_NOWAIT", RWF_NOWAIT }, { "RWF_SYNC", RWF_SYNC }, { "R_OK", R_OK }, { "SCHED_BATCH", SCHED_BATCH },
    { "SCHED_FIFO", SCHED_FIFO }, { "SCHED_IDLE", SCHED_IDLE }, { "SCHED_OTHER", SCHED_OTHER },
    { "SCHED_RESET_ON_FORK", SCHED_RESET_ON_FORK }, { "SCHED_RR", SCHED_RR }, { "SEEK_DATA", SEEK_DATA },
    { "SEEK_HOLE", SEEK_HOLE }, { "SPLICE_F_MORE", SPLICE_F_MORE }, { "SPLICE_F_MOVE", SPLICE_F_MOVE },
    { "SPLICE_F_NONBLOCK", SPLICE_F_NONBLOCK }, { "ST_APPEND", 256 }, { "ST_MANDLOCK", 64 }, { "ST_NOATIME", 1024 },
    { "ST_NODEV", 4 }, { "ST_NODIRATIME", 2048 }, { "ST_NOEXEC", 8 }, { "ST_NOSUID", ST_NOSUID },
    { "ST_RDONLY", ST_RDONLY }, { "ST_RELATIME", 4096 }, { "ST_SYNCHRONOUS", 16 }, { "ST_WRITE", 128 },
    { "TFD_CLOEXEC", 524288 }, { "TFD_NONBLOCK", 2048 }, { "TFD_TIMER_ABSTIME", 1 }, { "TFD_TIMER_CANCEL_ON_SET", 2 },
    { "TMP_MAX", TMP_MAX }, { "WCONTINUED", WCONTINUED }, { "WEXITED", WEXITED }, { "WNOHANG", WNOHANG },
    { "WNOWAIT", WNOWAIT }, { "WSTOPPED", WSTOPPED }, { "WUNTRACED", WUNTRACED }, { "W_OK", W_OK },
    { "XATTR_CREATE", XATTR_CREATE }, { "XATTR_REPLACE", XATTR_REPLACE }, { "XATTR_SIZE_MAX", XATTR_SIZE_MAX },
    { "X_OK", X_OK },
};

/* What os.supports_dir_fd, supports_fd and so on are made of. */
static const char *const have_functions[] = {
    "HAVE_EVENTFD", "HAVE_TIMERFD_CREATE", "HAVE_FACCESSAT", "HAVE_FCHDIR", "HAVE_FCHMOD", "HAVE_FCHMODAT",
    "HAVE_FCHOWN", "HAVE_FCHOWNAT", "HAVE_FEXECVE", "HAVE_FDOPENDIR", "HAVE_FPATHCONF", "HAVE_FSTATAT",
    "HAVE_FSTATVFS", "HAVE_FTRUNCATE", "HAVE_FUTIMENS", "HAVE_FUTIMES", "HAVE_FUTIMESAT", "HAVE_LINKAT",
    "HAVE_LCHOWN", "HAVE_LSTAT", "HAVE_LUTIMES", "HAVE_MEMFD_CREATE", "HAVE_MKDIRAT", "HAVE_MKFIFOAT", "HAVE_MKNODAT",
    "HAVE_OPENAT", "HAVE_READLINKAT", "HAVE_RENAMEAT", "HAVE_SYMLINKAT", "HAVE_UNLINKAT", "HAVE_UTIMENSAT",
    "HAVE_PTSNAME_R",
};

PosixState *posix_state(PyObject *module) { return PyModule_GetState(module); }

static int posix_add_constants(PyObject *module)
{
    for (size_t i = 0; i < ARRAY_LENGTH(constants); i++) {
        if (PyModule_Add(module, constants[i].name, PyLong_FromLongLong(constants[i].value)) < 0) return -1;
    }
    PyObject *list = PyList_New(0);
    for (size_t i = 0; list && i < ARRAY_LENGTH(have_functions); i++) {
        PyObject *name = PyUnicode_FromString(have_functions[i]);
        if (!name || PyList_Append(list, name) < 0) Py_CLEAR(list);
        Py_XDECREF(name);
    }
    return PyModule_Add(module, "_have_functions", list);
}

/* posix.environ: bytes to bytes, the first of equal names. */
static PyObject *environment(void)
{
    extern char **environ;
    PyObject *dict = PyDict_New();
    for (char **entry = environ; dict && entry && *entry; entry++) {
        const char *equals = strchr(*entry, '=');
        if (!equals) continue;
        PyObject *key = PyBytes_FromStringAndSize(*entry, equals - *entry), *value = key ? PyBytes_FromString(equals + 1) : NULL;
        if (!value || PyDict_SetDefaultRef(dict, key, value, NULL) < 0) Py_CLEAR(dict);
        Py_XDECREF(key);
        Py_XDECREF(value);
    }
    return dict;
}

static int posix_exec(PyObject *module)
{
    PosixState *state = posix_state(module);
    PyMethodDef *const tables[] = { posix_file_methods, posix_stat_methods, posix_fd_methods, posix_process_methods, posix_id_methods,
                                    posix_directory_methods, posix_config_methods, posix_linux_methods, posix_exec_methods };
    for (size_t i = 0; i < ARRAY_LENGTH(tables); i++)
        if (PyModule_AddFunctions(module, tables[i]) < 0) return -1;
    if (PyModule_Add(module, "environ", environment()) < 0 || posix_add_constants(module) < 0 || posix_add_config_names(module) < 0) return -1;
    if (!(state->billion = PyLong_FromLong(1000000000))) return -1;
    if (posix_add_stat_types(module, state) < 0 || posix_add_process_types(module, state) < 0) return -1;
    if (!(state->dir_entry = (PyTypeObject *)PyType_FromModuleAndSpec(module, &posix_dir_entry_spec, NULL))) return -1;
    if (!(state->scandir_iterator = (PyTypeObject *)PyType_FromModuleAndSpec(module, &posix_scandir_iterator_spec, NULL))) return -1;
    if (PyModule_AddObjectRef(module, "DirEntry", (PyObject *)state->dir_entry) < 0) return -1;
    return PyModule_AddObjectRef(module, "error", PyExc_OSError);
}

#define STATE_OBJECTS(DO)                                                                                               \
    DO(stat_result) DO(statvfs_result) DO(times_result) DO(uname_result) DO(waitid_result) DO(terminal_size) DO(sched_param)   \
    DO(dir_entry) DO(scandir_iterator) DO(billion)

static int posix_traverse(PyObject *module, visitproc visit, void *arg)
{
    PosixState *state = posix_state(module);
#define VISIT(member) Py_VISIT(state->member);
    STATE_OBJECTS(VISIT)
    return 0;
}

static int posix_clear(PyObject *module)
{
    PosixState *state = posix_state(module);
#define CLEAR(member) Py_CLEAR(state->member);
    STATE_OBJECTS(CLEAR)
    return 0;
}

static void posix_free(void *module) { posix_clear(module); }

static PyModuleDef_Slot posix_slots[] = {
    { Py_mod_exec, posix_exec },
    { Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED },
    { 0 }
};

struct PyModuleDef posix_module_definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "posix",
    .m_doc = "Access to functions of the operating system that are standardized by C and POSIX.\nUse the os module instead.",
    .m_size = sizeof(PosixState),
    .m_slots = posix_slots,
    .m_traverse = posix_traverse,
    .m_clear = posix_clear,
    .m_free = posix_free,
};

PyMODINIT_FUNC PyInit_posix(void) { return PyModuleDef_Init(&posix_module_definition); }
