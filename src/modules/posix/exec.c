/* posix: replacing the process (execv, execve) and starting another (posix_spawn). */
#include "posix_private.h"
#include "runtime/state.h"

#include <sched.h>
#include <signal.h>
#include <spawn.h>

extern char **environ;

/* A NULL-terminated array of C strings; each is allocated of its own. */
static void strings_free(char **strings)
{
    if (!strings) return;
    for (char **s = strings; *s; s++) PyMem_Free(*s);
    PyMem_Free(strings);
}

static char *string_copy(PyObject *value)
{
    PyObject *bytes = NULL;
    if (!PyUnicode_FSConverter(value, &bytes)) return NULL;
    char *copy = PyMem_Malloc((size_t)PyBytes_GET_SIZE(bytes) + 1);
    if (copy) memcpy(copy, PyBytes_AS_STRING(bytes), (size_t)PyBytes_GET_SIZE(bytes) + 1);
    else PyErr_NoMemory();
    Py_DECREF(bytes);
    return copy;
}

static char **argv_strings(PyObject *argv)
{
    Py_ssize_t n = PySequence_Size(argv);
    if (n < 0) return NULL;
    char **strings = PyMem_Calloc((size_t)n + 1, sizeof *strings);
    if (!strings) return (char **)PyErr_NoMemory();
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *item = PySequence_GetItem(argv, i);
        if (item) strings[i] = string_copy(item);
        Py_XDECREF(item);
        if (!strings[i]) {
            strings_free(strings);
            return NULL;
        }
    }
    return strings;
}

static char **env_strings(PyObject *env)
{
    PyObject *keys = PyMapping_Keys(env), *values = keys ? PyMapping_Values(env) : NULL;
    char **strings = NULL;
    bool failed = true;
    if (!values) goto done;
    Py_ssize_t n = PyList_GET_SIZE(keys), filled = 0;
    if (!(strings = PyMem_Calloc((size_t)n + 1, sizeof *strings))) {
        PyErr_NoMemory();
        goto done;
    }
    for (Py_ssize_t i = 0; i < n && i < PyList_GET_SIZE(values); i++) {
        PyObject *key = NULL, *value = NULL;
        if (PyUnicode_FSConverter(PyList_GET_ITEM(keys, i), &key) && PyUnicode_FSConverter(PyList_GET_ITEM(values, i), &value)) {
            Py_ssize_t klen = PyBytes_GET_SIZE(key), vlen = PyBytes_GET_SIZE(value);
            if (klen == 0 || strchr(PyBytes_AS_STRING(key) + 1, '=')) PyErr_SetString(PyExc_ValueError, "illegal environment variable name");
            else if (!(strings[filled] = PyMem_Malloc((size_t)(klen + vlen + 2)))) PyErr_NoMemory();
            else {
                memcpy(strings[filled], PyBytes_AS_STRING(key), (size_t)klen);
                strings[filled][klen] = '=';
                memcpy(strings[filled] + klen + 1, PyBytes_AS_STRING(value), (size_t)vlen + 1);
                filled++;
            }
        }
        Py_XDECREF(key);
        Py_XDECREF(value);
        if (PyErr_Occurred()) goto done;
    }
    failed = false;
done:
    Py_XDECREF(keys);
    Py_XDECREF(values);
    if (failed) {
        strings_free(strings);
        return NULL;
    }
    return strings;
}

static int check_may_exec(void)
{
    if (interp_get()->runtime.feature_flags & FEATURE_EXEC) return 0;
    PyErr_SetString(PyExc_RuntimeError, "exec not supported for isolated subinterpreters");
    return -1;
}

BUILTIN(posix, execv, POSITIONAL, "($module, path, argv, /)", "Execute an executable path with arguments, replacing current process.")
{
    Path path;
    if (check_may_exec() < 0) return NULL;
    if (path_get(&path, "execv", "path", arg[0], 0) < 0) return NULL;
    char **argv = NULL;
    if (!PyList_Check(arg[1]) && !PyTuple_Check(arg[1])) PyErr_SetString(PyExc_TypeError, "execv() arg 2 must be a tuple or list");
    else if (PySequence_Size(arg[1]) < 1) PyErr_SetString(PyExc_ValueError, "execv() arg 2 must not be empty");
    else if ((argv = argv_strings(arg[1]))) {
        if (!argv[0][0]) PyErr_SetString(PyExc_ValueError, "execv() arg 2 first element cannot be empty");
        else if (PySys_Audit("os.exec", "OOO", path.object, arg[1], Py_None) >= 0) {
            execv(path.narrow, argv);
            posix_error();
        }
    }
    strings_free(argv);
    path_done(&path);
    return NULL;
}

BUILTIN(posix, execve, KEYWORDS, "($module, /, path, argv, env)", "Execute an executable path with arguments and environment, replacing current process.")
{
    Path path;
    if (check_may_exec() < 0) return NULL;
    if (path_get(&path, "execve", "path", arg[0], PATH_FD) < 0) return NULL;
    char **argv = NULL, **env = NULL;
    if (!PyList_Check(arg[1]) && !PyTuple_Check(arg[1])) PyErr_SetString(PyExc_TypeError, "execve: argv must be a tuple or list");
    else if (PySequence_Size(arg[1]) < 1) PyErr_SetString(PyExc_ValueError, "execve: argv must not be empty");
    else if (!PyMapping_Check(arg[2])) PyErr_SetString(PyExc_TypeError, "execve: environment must be a mapping object");
    else if ((argv = argv_strings(arg[1]))) {
        if (!argv[0][0]) PyErr_SetString(PyExc_ValueError, "execve: argv first element cannot be empty");
        else if ((env = env_strings(arg[2])) && PySys_Audit("os.exec", "OOO", path.object, arg[1], arg[2]) >= 0) {
            if (path.narrow) execve(path.narrow, argv, env);
            else fexecve(path.fd, argv, env);
            path_error(&path);
        }
    }
    strings_free(argv);
    strings_free(env);
    path_done(&path);
    return NULL;
}

/* ---- posix_spawn ------------------------------------------------------------------------------------------------------- */

enum { SPAWN_OPEN = 0, SPAWN_CLOSE = 1, SPAWN_DUP2 = 2, SPAWN_CLOSEFROM = 3 };

/* The strings that file actions name live in keep until the spawn. */
static int parse_action(PyObject *action, posix_spawn_file_actions_t *actions, PyObject *keep)
{
    int tag, error = 0;
    if (!action || !PyTuple_Check(action) || PyTuple_GET_SIZE(action) == 0) {
        PyErr_SetString(PyExc_TypeError, "Each file_actions element must be a non-empty tuple");
        return -1;
    }
    if (int_get(PyTuple_GET_ITEM(action, 0), &tag) < 0) return -1;
    int fd1, fd2, flags;
    unsigned long mode;
    PyObject *tag_object, *path = NULL;
    switch (tag) {
    case SPAWN_OPEN:
        if (!PyArg_ParseTuple(action, "OiO&ik;A open file_action tuple must have 5 elements", &tag_object, &fd1, PyUnicode_FSConverter,
                              &path, &flags, &mode)) return -1;
        if (PyList_Append(keep, path) < 0) {
            Py_DECREF(path);
            return -1;
        }
        error = posix_spawn_file_actions_addopen(actions, fd1, PyBytes_AS_STRING(path), flags, (mode_t)mode);
        Py_DECREF(path);
        break;
    case SPAWN_CLOSE:
        if (!PyArg_ParseTuple(action, "Oi;A close file_action tuple must have 2 elements", &tag_object, &fd1)) return -1;
        error = posix_spawn_file_actions_addclose(actions, fd1);
        break;
    case SPAWN_DUP2:
        if (!PyArg_ParseTuple(action, "Oii;A dup2 file_action tuple must have 3 elements", &tag_object, &fd1, &fd2)) return -1;
        error = posix_spawn_file_actions_adddup2(actions, fd1, fd2);
        break;
    case SPAWN_CLOSEFROM:
        if (!PyArg_ParseTuple(action, "Oi;A closefrom file_action tuple must have 2 elements", &tag_object, &fd1)) return -1;
        error = posix_spawn_file_actions_addclosefrom_np(actions, fd1);
        break;
    default:
        PyErr_SetString(PyExc_TypeError, "Unknown file_actions identifier");
        return -1;
    }
    if (error) {
        errno = error;
        posix_error();
        return -1;
    }
    return 0;
}

static int signal_set(PyObject *signals, sigset_t *set)
{
    PyObject *item, *it = PyObject_GetIter(signals);
    if (!it) return -1;
    sigemptyset(set);
    while ((item = PyIter_Next(it))) {
        int overflow;
        long number = PyLong_AsLongAndOverflow(item, &overflow);
        Py_DECREF(item);
        if (number == -1 && PyErr_Occurred()) break;
        if (overflow || number <= 0 || number >= NSIG) {
            PyErr_Format(PyExc_ValueError, "signal number %ld out of range [1; %i]", number, NSIG - 1);
            break;
        }
        sigaddset(set, (int)number);
    }
    Py_DECREF(it);
    return PyErr_Occurred() ? -1 : 0;
}

static int parse_scheduler(PyObject *module, const char *function, PyObject *scheduler, posix_spawnattr_t *attributes, short *flags)
{
    PyObject *policy, *param;
    if (!PyTuple_Check(scheduler) || PyTuple_GET_SIZE(scheduler) != 2) {
        PyErr_Format(PyExc_TypeError, "%s: scheduler must be a tuple (policy, param)", function);
        return -1;
    }
    policy = PyTuple_GET_ITEM(scheduler, 0);
    param = PyTuple_GET_ITEM(scheduler, 1);
    if (!Py_IS_TYPE(param, posix_state(module)->sched_param)) {
        PyErr_SetString(PyExc_TypeError, "must have a sched_param object");
        return -1;
    }
    struct sched_param p = { 0 };
    if (int_get(PyTuple_GetItem(param, 0), &p.sched_priority) < 0) return -1;
    if (policy != Py_None) {
        int value;
        if (int_get(policy, &value) < 0) return -1;
        posix_spawnattr_setschedpolicy(attributes, value);
        *flags |= POSIX_SPAWN_SETSCHEDULER;
    }
    posix_spawnattr_setschedparam(attributes, &p);
    *flags |= POSIX_SPAWN_SETSCHEDPARAM;
    return 0;
}

enum { FILE_ACTIONS = 3, SETPGROUP, RESETIDS, SETSID, SETSIGMASK, SETSIGDEF, SCHEDULER };

static int spawn_attributes(PyObject *module, const char *function, PyObject *const *arg, posix_spawnattr_t *attributes)
{
    short flags = 0;
    sigset_t set;
    int value;
    if (arg[SETPGROUP] && arg[SETPGROUP] != Py_None) {
        if (int_get(arg[SETPGROUP], &value) < 0) return -1;
        posix_spawnattr_setpgroup(attributes, value);
        flags |= POSIX_SPAWN_SETPGROUP;
    }
    if ((value = flag_get(arg[RESETIDS], 0)) < 0) return -1;
    if (value) flags |= POSIX_SPAWN_RESETIDS;
    if ((value = flag_get(arg[SETSID], 0)) < 0) return -1;
    if (value) flags |= POSIX_SPAWN_SETSID;
    if (arg[SETSIGMASK]) {
        if (signal_set(arg[SETSIGMASK], &set) < 0) return -1;
        posix_spawnattr_setsigmask(attributes, &set);
        flags |= POSIX_SPAWN_SETSIGMASK;
    }
    if (arg[SETSIGDEF]) {
        if (signal_set(arg[SETSIGDEF], &set) < 0) return -1;
        posix_spawnattr_setsigdefault(attributes, &set);
        flags |= POSIX_SPAWN_SETSIGDEF;
    }
    if (arg[SCHEDULER] && arg[SCHEDULER] != Py_None && parse_scheduler(module, function, arg[SCHEDULER], attributes, &flags) < 0) return -1;
    posix_spawnattr_setflags(attributes, flags);
    return 0;
}

typedef int SpawnFunction(pid_t *, const char *, const posix_spawn_file_actions_t *, const posix_spawnattr_t *, char *const[], char *const[]);

static PyObject *spawn(PyObject *module, const char *function, SpawnFunction *call, PyObject *const *arg)
{
    Path path;
    if (path_get(&path, function, "path", arg[0], 0) < 0) return NULL;
    PyObject *o = NULL, *keep = NULL, *actions_list = NULL;
    char **argv = NULL, **env = NULL;
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    if (!PyList_Check(arg[1]) && !PyTuple_Check(arg[1])) {
        PyErr_Format(PyExc_TypeError, "%s: argv must be a tuple or list", function);
        goto done;
    }
    if (PySequence_Size(arg[1]) < 1) {
        PyErr_Format(PyExc_ValueError, "%s: argv must not be empty", function);
        goto done;
    }
    if (!PyMapping_Check(arg[2]) && arg[2] != Py_None) {
        PyErr_Format(PyExc_TypeError, "%s: environment must be a mapping object or None", function);
        goto done;
    }
    if (!(argv = argv_strings(arg[1]))) goto done;
    if (!argv[0][0]) {
        PyErr_Format(PyExc_ValueError, "%s: argv first element cannot be empty", function);
        goto done;
    }
    if (arg[2] != Py_None && !(env = env_strings(arg[2]))) goto done;
    if (arg[FILE_ACTIONS] && arg[FILE_ACTIONS] != Py_None) {
        if (!(keep = PyList_New(0)) || !(actions_list = PySequence_Fast(arg[FILE_ACTIONS], "file_actions must be a sequence or None"))) goto done;
        for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(actions_list); i++) {
            PyObject *action = Py_NewRef(PySequence_Fast_GET_ITEM(actions_list, i));     /* an __index__ in it may change the list */
            int status = parse_action(action, &actions, keep);
            Py_DECREF(action);
            if (status < 0) goto done;
        }
    }
    if (spawn_attributes(module, function, arg, &attributes) < 0) goto done;
    if (PySys_Audit("os.posix_spawn", "OOO", path.object, arg[1], arg[2]) < 0) goto done;
    pid_t pid;
    int error;
    UNLOCKED(error, call(&pid, path.narrow, &actions, &attributes, argv, env ? env : environ));
    if (error) {
        errno = error;
        path_error(&path);
    }
    else o = PyLong_FromLong(pid);
done:
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    Py_XDECREF(actions_list);
    Py_XDECREF(keep);
    strings_free(argv);
    strings_free(env);
    path_done(&path);
    return o;
}

BUILTIN(posix, posix_spawn, KEYWORDS,
        "($module, path, argv, env, /, *, file_actions=(),\n            setpgroup=<unrepresentable>, resetids=False, setsid=False,\n"
        "            setsigmask=(), setsigdef=(), scheduler=<unrepresentable>)", "Execute the program specified by path in a new process.")
{
    return spawn(self, "posix_spawn", posix_spawn, arg);
}

BUILTIN(posix, posix_spawnp, KEYWORDS,
        "($module, path, argv, env, /, *, file_actions=(),\n             setpgroup=<unrepresentable>, resetids=False, setsid=False,\n"
        "             setsigmask=(), setsigdef=(), scheduler=<unrepresentable>)",
        "Execute the program specified by path, looked for in PATH, in a new process.")
{
    return spawn(self, "posix_spawnp", posix_spawnp, arg);
}

PyMethodDef posix_exec_methods[] = {
    METHOD(posix, execv), METHOD(posix, execve), METHOD(posix, posix_spawn), METHOD(posix, posix_spawnp),
    { 0 }
};
