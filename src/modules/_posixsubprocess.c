/* The _posixsubprocess module: fork, prepare the child, exec; and tell the parent through a pipe what went wrong.
 *
 * Between vfork or fork and exec only async-signal-safe calls are made, but for preexec_fn, which needs the interpreter and
 * therefore a full fork. Everything the child needs is prepared before. */
#include "capi/args.h"
#include "runtime/state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

typedef struct Spawn {
    char **argv, **env, **paths;              /* NULL-terminated; env NULL: inherit */
    const char *cwd;
    int p2cread, p2cwrite, c2pread, c2pwrite, errread, errwrite, errpipe_read, errpipe_write;
    bool close_fds, restore_signals, call_setsid;
    pid_t pgid_to_set;                        /* -1: leave */
    gid_t gid;
    uid_t uid;                                /* (uid_t)-1: leave */
    gid_t *groups;
    Py_ssize_t group_count;                   /* -1: leave */
    int umask;                                /* -1: leave */
    int *keep;                                /* sorted descriptors that stay open */
    Py_ssize_t keep_count;
    PyObject *preexec_fn, *preexec_args;
} Spawn;

/* ---- what the child does ----------------------------------------------------------------------------------------------------- */

static void close_gap(int from, int to)              /* inclusive; to -1: all above */
{
    unsigned last = to < 0 ? ~0u : (unsigned)to;
    if (to >= 0 && to < from) return;
#ifdef SYS_close_range
    if (syscall(SYS_close_range, (unsigned)from, last, 0) == 0) return;
#endif
    long limit = to < 0 ? sysconf(_SC_OPEN_MAX) - 1 : to;
    if (limit < 0 || limit > 1 << 20) limit = 1 << 20;
    for (long fd = from; fd <= limit; fd++) close((int)fd);
}

static void close_others(const Spawn *s)
{
    int from = 3;
    for (Py_ssize_t i = 0; i < s->keep_count; i++) {
        if (s->keep[i] < from) continue;
        close_gap(from, s->keep[i] - 1);
        from = s->keep[i] + 1;
    }
    close_gap(from, -1);
}

static int set_inheritable(int fd)
{
    int flags = fcntl(fd, F_GETFD);
    return flags < 0 ? -1 : fcntl(fd, F_SETFD, flags & ~FD_CLOEXEC);
}

static int move_to(int fd, int target)
{
    if (fd == target) return set_inheritable(fd);
    return fd >= 0 ? dup2(fd, target) : 0;
}

static void default_signals(void)
{
    signal(SIGPIPE, SIG_DFL);
    signal(SIGXFSZ, SIG_DFL);
}

/* Never returns. */
static void child(Spawn *s, const sigset_t *old_signals)
{
    int saved, report_preexec = 0;
    for (Py_ssize_t i = 0; i < s->keep_count; i++)
        if (s->keep[i] != s->errpipe_write && set_inheritable(s->keep[i]) < 0) goto error;
    if (s->p2cwrite >= 0) close(s->p2cwrite);
    if (s->c2pread >= 0) close(s->c2pread);
    if (s->errread >= 0) close(s->errread);
    close(s->errpipe_read);
    /* A descriptor that another one will be moved onto must first be out of the way. */
    if (s->c2pwrite == 0 && (s->c2pwrite = dup(s->c2pwrite)) < 0) goto error;
    while (s->errwrite == 0 || s->errwrite == 1)
        if ((s->errwrite = dup(s->errwrite)) < 0) goto error;
    if (move_to(s->p2cread, 0) < 0 || move_to(s->c2pwrite, 1) < 0 || move_to(s->errwrite, 2) < 0) goto error;
    if (s->cwd && chdir(s->cwd) < 0) {
        static const char text[] = "OSError:";
        char number[20];
        saved = errno;
        int n = 0;
        for (int e = saved; e; e /= 16) number[n++] = "0123456789ABCDEF"[e % 16];
        (void)!write(s->errpipe_write, text, sizeof text - 1);
        while (n) (void)!write(s->errpipe_write, &number[--n], 1);
        (void)!write(s->errpipe_write, ":noexec:chdir", 13);
        _exit(255);
    }
    if (s->umask >= 0) umask((mode_t)s->umask);
    if (s->restore_signals) default_signals();
    if (old_signals && sigprocmask(SIG_SETMASK, old_signals, NULL) < 0) goto error;
    if (s->call_setsid && setsid() < 0) goto error;
    if (s->pgid_to_set >= 0 && setpgid(0, s->pgid_to_set) < 0) goto error;
    if (s->group_count >= 0 && syscall(SYS_setgroups, (size_t)s->group_count, s->groups) < 0) goto error;
    if (s->gid != (gid_t)-1 && syscall(SYS_setregid, s->gid, s->gid) < 0) goto error;
    if (s->uid != (uid_t)-1 && syscall(SYS_setreuid, s->uid, s->uid) < 0) goto error;
    if (s->preexec_fn) {
        report_preexec = 1;
        PyObject *result = PyObject_Call(s->preexec_fn, s->preexec_args, NULL);
        if (!result) {
            PyErr_Clear();
            errno = 0;
            goto error;
        }
        report_preexec = 0;                              /* the reference stays: the process is about to be replaced */
    }
    if (s->close_fds) close_others(s);
    saved = 0;
    for (char **path = s->paths; *path; path++) {
        if (s->env) execve(*path, s->argv, s->env);
        else execv(*path, s->argv);
        if (errno != ENOENT && errno != ENOTDIR && !saved) saved = errno;
    }
    if (saved) errno = saved;
error:
    saved = errno;
    if (saved) {
        static const char text[] = "OSError:";
        char number[20];
        int n = 0;
        for (int e = saved; e; e /= 16) number[n++] = "0123456789ABCDEF"[e % 16];
        (void)!write(s->errpipe_write, text, sizeof text - 1);
        while (n) (void)!write(s->errpipe_write, &number[--n], 1);
        (void)!write(s->errpipe_write, ":", 1);
    }
    else {
        static const char text[] = "SubprocessError:0:";
        (void)!write(s->errpipe_write, text, sizeof text - 1);
        if (report_preexec) (void)!write(s->errpipe_write, "Exception occurred in preexec_fn.", 33);
    }
    _exit(255);
}

/* ---- what the parent prepares ------------------------------------------------------------------------------------------------- */

static void strings_free(char **strings)
{
    for (char **s = strings; s && *s; s++) PyMem_Free(*s);
    PyMem_Free(strings);
}

/* Copies of a sequence of bytes objects (or of what os.fsencode takes). */
static char **strings_of(PyObject *sequence, bool convert, const char *what)
{
    Py_ssize_t n = PySequence_Size(sequence);
    if (n < 0) {
        if (PyErr_ExceptionMatches(PyExc_TypeError)) PyErr_SetString(PyExc_TypeError, what);
        return NULL;
    }
    char **strings = (size_t)n < PY_SSIZE_T_MAX / sizeof *strings - 1 ? PyMem_Calloc((size_t)n + 1, sizeof *strings) : NULL;
    if (!strings) PyErr_NoMemory();
    for (Py_ssize_t i = 0; strings && i < n; i++) {
        PyObject *item = PySequence_GetItem(sequence, i), *bytes = NULL;
        if (!item) ;
        else if (convert) {
            if (!PyUnicode_FSConverter(item, &bytes)) bytes = NULL;
        }
        else if (PyBytes_Check(item)) bytes = Py_NewRef(item);
        else PyErr_Format(PyExc_TypeError, "expected bytes, %.200s found", Py_TYPE(item)->tp_name);
        char *text = NULL;
        if (bytes && PyBytes_AsStringAndSize(bytes, &text, NULL) == 0) {
            size_t size = (size_t)PyBytes_GET_SIZE(bytes) + 1;
            if ((strings[i] = PyMem_Malloc(size))) memcpy(strings[i], text, size);
            else PyErr_NoMemory();
        }
        Py_XDECREF(bytes);
        Py_XDECREF(item);
        if (!strings[i]) {
            strings_free(strings);
            strings = NULL;
        }
    }
    return strings;
}

static int parse_keep(Spawn *s, PyObject *tuple)
{
    Py_ssize_t n = PyTuple_GET_SIZE(tuple);
    long previous = -1;
    if (!(s->keep = PyMem_New(int, (size_t)n + 1))) {
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *item = PyTuple_GET_ITEM(tuple, i);
        long fd = PyLong_Check(item) ? PyLong_AsLong(item) : -1;
        if (fd < 0 || fd <= previous || fd > INT_MAX) {
            if (!PyErr_Occurred() || PyErr_ExceptionMatches(PyExc_OverflowError)) PyErr_SetString(PyExc_ValueError, "bad value(s) in fds_to_keep");
            return -1;
        }
        s->keep[i] = (int)(previous = fd);
    }
    s->keep_count = n;
    return 0;
}

static int parse_id(PyObject *value, const char *what, uint32_t *id)
{
    *id = (uint32_t)-1;
    if (value == Py_None) return 0;
    int overflow;
    if (!PyIndex_Check(value)) {
        PyErr_Format(PyExc_TypeError, "%s should be integer, not %.200s", what, Py_TYPE(value)->tp_name);
        return -1;
    }
    long n = PyLong_AsLongAndOverflow(value, &overflow);
    if (n == -1 && !overflow && PyErr_Occurred()) return -1;
    if (overflow < 0 || n < -1) PyErr_Format(PyExc_OverflowError, "%s is less than minimum", what);
    else if (overflow || n > (long)UINT32_MAX) PyErr_Format(PyExc_OverflowError, "%s is greater than maximum", what);
    else {
        *id = (uint32_t)n;
        return 0;
    }
    return -1;
}

static int parse_groups(Spawn *s, PyObject *list)
{
    s->group_count = -1;
    if (list == Py_None) return 0;
    if (!PyList_Check(list)) {
        PyErr_SetString(PyExc_TypeError, "setgroups argument must be a list");
        return -1;
    }
    Py_ssize_t n = PyList_GET_SIZE(list);
    if (n > 65536) {
        PyErr_SetString(PyExc_ValueError, "too many extra_groups");
        return -1;
    }
    if (!(s->groups = PyMem_New(gid_t, (size_t)n + 1))) {
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *item = PyList_GET_ITEM(list, i);
        if (!PyLong_Check(item)) {
            PyErr_SetString(PyExc_TypeError, "extra_groups must be integers");
            return -1;
        }
        if (parse_id(item, "gid", &s->groups[i]) < 0) {
            PyErr_SetString(PyExc_ValueError, "invalid group id");
            return -1;
        }
    }
    s->group_count = n;
    return 0;
}

static int int_of(PyObject *value, int *result) { return (*result = PyLong_AsInt(value)) == -1 && PyErr_Occurred() ? -1 : 0; }
static int bool_of(PyObject *value, bool *result)
{
    int truth = PyObject_IsTrue(value);
    *result = truth > 0;
    return truth < 0 ? -1 : 0;
}

enum { ARGS, EXECUTABLES, CLOSE_FDS, PASS_FDS, CWD, ENV, P2CREAD, RESTORE_SIGNALS = 14, SETSID, PGID, GID, GROUPS, UID, UMASK, PREEXEC, VFORK };

static int parse(Spawn *s, PyObject *const *arg, PyObject **cwd)
{
    int *fds[] = { &s->p2cread, &s->p2cwrite, &s->c2pread, &s->c2pwrite, &s->errread, &s->errwrite, &s->errpipe_read, &s->errpipe_write };
    int pgid;
    if (bool_of(arg[CLOSE_FDS], &s->close_fds) < 0) return -1;
    if (!PyTuple_Check(arg[PASS_FDS])) {
        PyErr_Format(PyExc_TypeError, "fork_exec() argument 4 must be tuple, not %T", arg[PASS_FDS]);
        return -1;
    }
    for (size_t i = 0; i < ARRAY_LENGTH(fds); i++) if (int_of(arg[P2CREAD + i], fds[i]) < 0) return -1;
    if (bool_of(arg[RESTORE_SIGNALS], &s->restore_signals) < 0 || bool_of(arg[SETSID], &s->call_setsid) < 0) return -1;
    if (int_of(arg[PGID], &pgid) < 0 || int_of(arg[UMASK], &s->umask) < 0) return -1;
    s->pgid_to_set = pgid;
    if (s->close_fds && s->errpipe_write < 3) {
        PyErr_SetString(PyExc_ValueError, "errpipe_write must be >= 3");
        return -1;
    }
    if (parse_keep(s, arg[PASS_FDS]) < 0) return -1;
    if (!(s->paths = strings_of(arg[EXECUTABLES], false, "executable_list must be a sequence"))) return -1;
    if (arg[ARGS] != Py_None && !(s->argv = strings_of(arg[ARGS], true, "argv must be a tuple"))) return -1;
    if (arg[ENV] != Py_None && !(s->env = strings_of(arg[ENV], false, "env must be a sequence"))) return -1;
    if (arg[CWD] != Py_None) {
        if (!PyUnicode_FSConverter(arg[CWD], cwd)) return -1;
        s->cwd = PyBytes_AS_STRING(*cwd);
    }
    if (parse_groups(s, arg[GROUPS]) < 0 || parse_id(arg[GID], "gid", &s->gid) < 0 || parse_id(arg[UID], "uid", &s->uid) < 0) return -1;
    if (arg[PREEXEC] != Py_None) {
        s->preexec_fn = arg[PREEXEC];
        if (!(s->preexec_args = PyTuple_New(0))) return -1;
    }
    return 0;
}

BUILTIN(posixsubprocess, fork_exec, POSITIONAL,
        "($module, args, executable_list, close_fds, pass_fds, cwd,\n          env, p2cread, p2cwrite, c2pread, c2pwrite, errread, errwrite,\n"
        "          errpipe_read, errpipe_write, restore_signals, call_setsid,\n          pgid_to_set, gid, extra_groups, uid, child_umask, preexec_fn,\n"
        "          allow_vfork, /)",
        "Spawn a fresh new child process; what goes wrong before its program starts is written to errpipe_write.")
{
    Spawn s = { .group_count = -1 };
    PyObject *cwd = NULL, *result = NULL;
    pid_t pid = -1;
    bool disabled_gc = false, use_vfork;
    sigset_t all, old, *old_signals = NULL;
    if (arg[PREEXEC] != Py_None && interp_get()->runtime.finalizing) {
        PyErr_SetString(PyExc_PythonFinalizationError, "preexec_fn not supported at interpreter shutdown");
        return NULL;
    }
    if (arg[PREEXEC] != Py_None && interp_get() != PyInterpreterState_Main()) {
        PyErr_SetString(PyExc_RuntimeError, "preexec_fn not supported within subinterpreters");
        return NULL;
    }
    if (parse(&s, arg, &cwd) < 0 || bool_of(arg[VFORK], &use_vfork) < 0) goto done;
    if (s.preexec_fn) {
        disabled_gc = PyGC_Disable();                     /* no finaliser may run in the child before exec */
        PyOS_BeforeFork();
        pid = fork();
    }
    else {
        /* With the parent's memory shared no handler may run in the child: all signals wait until exec. */
        use_vfork = use_vfork && s.uid == (uid_t)-1 && s.gid == (gid_t)-1 && s.group_count < 0;
        sigfillset(&all);
        sigprocmask(SIG_BLOCK, &all, &old);
        old_signals = &old;
        pid = use_vfork ? vfork() : fork();
    }
    if (pid == 0) {
        if (s.preexec_fn) PyOS_AfterFork_Child();
        child(&s, old_signals);
    }
    int saved = errno;
    if (old_signals) sigprocmask(SIG_SETMASK, old_signals, NULL);
    if (s.preexec_fn) PyOS_AfterFork_Parent();
    if (disabled_gc) PyGC_Enable();
    errno = saved;
    result = pid < 0 ? PyErr_SetFromErrno(PyExc_OSError) : PyLong_FromLong(pid);
done:
    strings_free(s.argv);
    strings_free(s.env);
    strings_free(s.paths);
    PyMem_Free(s.keep);
    PyMem_Free(s.groups);
    Py_XDECREF(s.preexec_args);
    Py_XDECREF(cwd);
    return result;
}

static PyMethodDef posixsubprocess_methods[] = { METHOD(posixsubprocess, fork_exec), { 0 } };
static PyModuleDef_Slot posixsubprocess_slots[] = { { Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED }, { 0 } };
static struct PyModuleDef posixsubprocess_definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_posixsubprocess",
    .m_doc = "A POSIX helper for the subprocess module.",
    .m_methods = posixsubprocess_methods,
    .m_slots = posixsubprocess_slots,
};
PyMODINIT_FUNC PyInit__posixsubprocess(void) { return PyModuleDef_Init(&posixsubprocess_definition); }
