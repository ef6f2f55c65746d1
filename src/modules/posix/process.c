/* posix: processes: fork, wait, signals, groups, priorities, scheduling, environment, random bytes, names of the system. */
#include "posix_private.h"
#include "runtime/state.h"

#include <pty.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/utsname.h>

/* ---- fork ------------------------------------------------------------------------------------------------------------- */

static PyObject *imported_threading(void)
{
    PyObject *name = PyUnicode_InternFromString("threading"), *module = name ? PyImport_GetModule(name) : NULL;
    Py_XDECREF(name);
    return module;
}

/* Threads of the process as the kernel counts them; 0: it does not say. */
static long kernel_threads(void)
{
    char text[1024];
    FILE *file = fopen("/proc/self/stat", "re");
    size_t n = file ? fread(text, 1, sizeof text - 1, file) : 0;
    if (file) fclose(file);
    text[n] = 0;
    char *field = strrchr(text, ')');                        /* the second field is the program's name, in brackets */
    for (int i = 2; field && i < 20; i++) field = strchr(field + 1, ' ');
    return field ? strtol(field, NULL, 10) : 0;
}

static Py_ssize_t python_threads(void)
{
    PyObject *threading = imported_threading(), *active = NULL, *limbo = NULL;
    Py_ssize_t n = 0;
    if (!threading) return 0;
    active = PyObject_GetAttrString(threading, "_active");
    limbo = active ? PyObject_GetAttrString(threading, "_limbo") : NULL;
    if (limbo) n = PyMapping_Length(active) + PyMapping_Length(limbo);
    PyErr_Clear();
    Py_XDECREF(active);
    Py_XDECREF(limbo);
    Py_DECREF(threading);
    return n;
}

static int warn_about_threads(const char *name)
{
    long n = kernel_threads();
    if (n <= 0) n = python_threads();
    if (n <= 1) return 0;
    return PyErr_WarnFormat(PyExc_DeprecationWarning, 1,
                            "This process (pid=%d) is multi-threaded, use of %s() may lead to deadlocks in the child.", getpid(), name);
}

static int check_may_fork(void)
{
    RuntimeState *r = &interp_get()->runtime;
    if (r->finalizing) PyErr_SetString(PyExc_PythonFinalizationError, "can't fork at interpreter shutdown");
    else if (!(r->feature_flags & FEATURE_FORK)) PyErr_SetString(PyExc_RuntimeError, "fork not supported for isolated subinterpreters");
    else return 0;
    return -1;
}

BUILTIN_NOARGS(posix, fork, "($module, /)", "Fork a child process. Return 0 to the child and its process ID to the parent.")
{
    if (check_may_fork() < 0 || PySys_Audit("os.fork", NULL) < 0) return NULL;
    PyOS_BeforeFork();
    pid_t pid = fork();
    int saved = errno;
    if (pid == 0) PyOS_AfterFork_Child();
    else {
        PyOS_AfterFork_Parent();
        if (pid > 0 && warn_about_threads("fork") < 0) return NULL;
    }
    errno = saved;
    return pid < 0 ? posix_error() : PyLong_FromLong(pid);
}

BUILTIN_NOARGS(posix, forkpty, "($module, /)", "Fork a new process with a new pseudo-terminal as its controlling one; returns (pid, master_fd).")
{
    int master = -1;
    if (check_may_fork() < 0 || PySys_Audit("os.forkpty", NULL) < 0) return NULL;
    PyOS_BeforeFork();
    pid_t pid = forkpty(&master, NULL, NULL, NULL);
    int saved = errno;
    if (pid == 0) PyOS_AfterFork_Child();
    else {
        PyOS_AfterFork_Parent();
        if (pid > 0 && warn_about_threads("forkpty") < 0) return NULL;
    }
    errno = saved;
    return pid < 0 ? posix_error() : Py_BuildValue("(ii)", (int)pid, master);
}

BUILTIN(posix, _exit, KEYWORDS, "($module, /, status)", "Exit to the system with specified status, without normal exit processing.")
{
    int status;
    if (int_get(arg[0], &status) < 0) return NULL;
    _exit(status);
}

BUILTIN_NOARGS(posix, abort, "($module, /)", "Abort the interpreter immediately, without a Python error.")
{
    abort();
}

BUILTIN(posix, system, KEYWORDS, "($module, /, command)", "Execute the command in a subshell; return its wait status.")
{
    PyObject *command = NULL;
    if (!PyUnicode_FSConverter(arg[0], &command)) return NULL;
    int status = -1;
    bool allowed = PySys_Audit("os.system", "(O)", command) >= 0;
    if (allowed) UNLOCKED(status, system(PyBytes_AS_STRING(command)));
    Py_DECREF(command);
    return allowed ? PyLong_FromLong(status) : NULL;
}

/* ---- wait -------------------------------------------------------------------------------------------------------------- */

BUILTIN(posix, waitpid, PARSED, "($module, pid, options, /)", "Wait for completion of a given child process. Returns (pid, status).")
{
    int pid, options, status = 0;
    pid_t result;
    bool interrupted;
    if (int_get(arg[0], &pid) < 0 || int_get(arg[1], &options) < 0) return NULL;
    UNLOCKED_RETRY(result, waitpid(pid, &status, options), interrupted);
    if (interrupted) return NULL;
    return result < 0 ? posix_error() : Py_BuildValue("(ii)", (int)result, status);
}

BUILTIN_NOARGS(posix, wait, "($module, /)", "Wait for completion of a child process. Returns (pid, status).")
{
    int status = 0;
    pid_t result;
    bool interrupted;
    UNLOCKED_RETRY(result, wait(&status), interrupted);
    if (interrupted) return NULL;
    return result < 0 ? posix_error() : Py_BuildValue("(ii)", (int)result, status);
}

static PyObject *wait_with_usage(pid_t pid, int options)
{
    int status = 0;
    pid_t result;
    bool interrupted;
    struct rusage usage = { 0 };
    UNLOCKED_RETRY(result, wait4(pid, &status, options, &usage), interrupted);
    if (interrupted) return NULL;
    if (result < 0) return posix_error();
    PyObject *resource = PyImport_ImportModule("resource"), *type = resource ? PyObject_GetAttrString(resource, "struct_rusage") : NULL;
    PyObject *fields = NULL, *o = NULL;
    if (type) {
#define SECONDS(tv) ((double)(tv).tv_sec + (double)(tv).tv_usec * 1e-6)
        fields = Py_BuildValue("((ddllllllllllllll))", SECONDS(usage.ru_utime), SECONDS(usage.ru_stime), usage.ru_maxrss, usage.ru_ixrss,
                               usage.ru_idrss, usage.ru_isrss, usage.ru_minflt, usage.ru_majflt, usage.ru_nswap, usage.ru_inblock,
                               usage.ru_oublock, usage.ru_msgsnd, usage.ru_msgrcv, usage.ru_nsignals, usage.ru_nvcsw, usage.ru_nivcsw);
    }
    PyObject *record = fields ? PyObject_Call(type, fields, NULL) : NULL;
    if (record) o = Py_BuildValue("(iiN)", (int)result, status, record);
    Py_XDECREF(fields);
    Py_XDECREF(type);
    Py_XDECREF(resource);
    return o;
}

BUILTIN(posix, wait3, KEYWORDS, "($module, /, options)", "Wait for completion of a child process. Returns (pid, status, rusage).")
{
    int options;
    return int_get(arg[0], &options) < 0 ? NULL : wait_with_usage(-1, options);
}

BUILTIN(posix, wait4, KEYWORDS, "($module, /, pid, options)", "Wait for completion of a specific child process. Returns (pid, status, rusage).")
{
    int pid, options;
    return int_get(arg[0], &pid) < 0 || int_get(arg[1], &options) < 0 ? NULL : wait_with_usage(pid, options);
}

static PyStructSequence_Field waitid_fields[] = {
    { "si_pid", NULL }, { "si_uid", NULL }, { "si_signo", NULL }, { "si_status", NULL }, { "si_code", NULL }, { 0 }
};
static PyStructSequence_Desc waitid_desc = { "posix.waitid_result", "The result of waitid().", waitid_fields, 5 };

BUILTIN(posix, waitid, PARSED, "($module, idtype, id, options, /)", "Wait for a process or processes; None when there is nothing with WNOHANG.")
{
    int type, id, options, result;
    bool interrupted;
    siginfo_t info = { 0 };
    if (int_get(arg[0], &type) < 0 || int_get(arg[1], &id) < 0 || int_get(arg[2], &options) < 0) return NULL;
    UNLOCKED_RETRY(result, waitid((idtype_t)type, (id_t)id, &info, options), interrupted);
    if (interrupted) return NULL;
    if (result < 0) return posix_error();
    if (info.si_pid == 0) Py_RETURN_NONE;
    PyObject *o = PyStructSequence_New(posix_state(self)->waitid_result);
    if (!o) return NULL;
    PyStructSequence_SetItem(o, 0, PyLong_FromLong(info.si_pid));
    PyStructSequence_SetItem(o, 1, id_object(info.si_uid));
    PyStructSequence_SetItem(o, 2, PyLong_FromLong(info.si_signo));
    PyStructSequence_SetItem(o, 3, PyLong_FromLong(info.si_status));
    PyStructSequence_SetItem(o, 4, PyLong_FromLong(info.si_code));
    if (PyErr_Occurred()) Py_CLEAR(o);
    return o;
}

#define WAIT_STATUS(name, text, make)                                                                                   \
    BUILTIN(posix, name, KEYWORDS, "($module, /, status)", text)                                                        \
    {                                                                                                                   \
        int status;                                                                                                     \
        return int_get(arg[0], &status) < 0 ? NULL : make(name(status));                                                \
    }

WAIT_STATUS(WIFCONTINUED, "Return True if the process was continued from a job control stop.", PyBool_FromLong)
WAIT_STATUS(WIFSTOPPED, "Return True if the process returning status was stopped.", PyBool_FromLong)
WAIT_STATUS(WIFSIGNALED, "Return True if the process returning status was terminated by a signal.", PyBool_FromLong)
WAIT_STATUS(WIFEXITED, "Return True if the process returning status exited via the exit() system call.", PyBool_FromLong)
WAIT_STATUS(WEXITSTATUS, "Return the process return code from status.", PyLong_FromLong)
WAIT_STATUS(WTERMSIG, "Return the signal that terminated the process that provided the status value.", PyLong_FromLong)
WAIT_STATUS(WSTOPSIG, "Return the signal that stopped the process that provided the status value.", PyLong_FromLong)

BUILTIN_O(posix, WCOREDUMP, "($module, status, /)", "Return True if the process returning status was dumped to a core file.")
{
    int status;
    return int_get(arg, &status) < 0 ? NULL : PyBool_FromLong(WCOREDUMP(status));
}

BUILTIN(posix, waitstatus_to_exitcode, KEYWORDS, "($module, /, status)",
        "Convert a wait status to an exit code: the exit status, or minus the signal number.")
{
    int status;
    if (!PyLong_Check(arg[0])) return PyErr_Format(PyExc_TypeError, "an integer is required (got type %s)", Py_TYPE(arg[0])->tp_name);
    if (int_get(arg[0], &status) < 0) return NULL;
    if (WIFEXITED(status)) return PyLong_FromLong(WEXITSTATUS(status));
    if (WIFSIGNALED(status)) return PyLong_FromLong(-WTERMSIG(status));
    if (WIFSTOPPED(status)) return PyErr_Format(PyExc_ValueError, "process stopped by delivery of signal %i", WSTOPSIG(status));
    return PyErr_Format(PyExc_ValueError, "invalid wait status: %i", status);
}

/* ---- signals, groups, priorities ------------------------------------------------------------------------------------------- */

BUILTIN(posix, kill, PARSED, "($module, pid, signal, /)", "Kill a process with a signal.")
{
    int pid, signal;
    if (int_get(arg[0], &pid) < 0 || int_get(arg[1], &signal) < 0 || PySys_Audit("os.kill", "ii", pid, signal) < 0) return NULL;
    if (kill(pid, signal) < 0) return posix_error();
    if (PyErr_CheckSignals() < 0) return NULL;          /* one to ourselves runs its handler before we return */
    Py_RETURN_NONE;
}

BUILTIN(posix, killpg, PARSED, "($module, pgid, signal, /)", "Kill a process group with a signal.")
{
    int group, signal;
    if (int_get(arg[0], &group) < 0 || int_get(arg[1], &signal) < 0 || PySys_Audit("os.killpg", "ii", group, signal) < 0) return NULL;
    if (killpg(group, signal) < 0) return posix_error();
    if (PyErr_CheckSignals() < 0) return NULL;
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(posix, getpid, "($module, /)", "Return the current process id.") { return PyLong_FromLong(getpid()); }
BUILTIN_NOARGS(posix, getppid, "($module, /)", "Return the parent's process id.") { return PyLong_FromLong(getppid()); }
BUILTIN_NOARGS(posix, getpgrp, "($module, /)", "Return the current process group id.") { return PyLong_FromLong(getpgrp()); }
BUILTIN_NOARGS(posix, setpgrp, "($module, /)", "Make the current process the leader of its process group.") { RETURN_NONE_OR_ERROR(setpgrp()); }
BUILTIN_NOARGS(posix, setsid, "($module, /)", "Call the system call setsid().") { RETURN_NONE_OR_ERROR(setsid()); }

BUILTIN(posix, getpgid, KEYWORDS, "($module, /, pid)", "Call the system call getpgid(), and return the result.")
{
    int pid;
    if (int_get(arg[0], &pid) < 0) return NULL;
    pid_t group = getpgid(pid);
    return group < 0 ? posix_error() : PyLong_FromLong(group);
}

BUILTIN_O(posix, getsid, "($module, pid, /)", "Call the system call getsid(pid) and return the result.")
{
    int pid;
    if (int_get(arg, &pid) < 0) return NULL;
    pid_t session = getsid(pid);
    return session < 0 ? posix_error() : PyLong_FromLong(session);
}

BUILTIN(posix, setpgid, PARSED, "($module, pid, pgrp, /)", "Call the system call setpgid(pid, pgrp).")
{
    int pid, group;
    if (int_get(arg[0], &pid) < 0 || int_get(arg[1], &group) < 0) return NULL;
    RETURN_NONE_OR_ERROR(setpgid(pid, group));
}

BUILTIN_O(posix, nice, "($module, increment, /)", "Add increment to the priority of process and return the new priority.")
{
    int increment;
    if (int_get(arg, &increment) < 0) return NULL;
    errno = 0;
    int value = nice(increment);
    return value == -1 && errno ? posix_error() : PyLong_FromLong(value);
}

BUILTIN(posix, getpriority, KEYWORDS, "($module, /, which, who)", "Return program scheduling priority.")
{
    int which, who;
    if (int_get(arg[0], &which) < 0 || int_get(arg[1], &who) < 0) return NULL;
    errno = 0;
    int value = getpriority((__priority_which_t)which, (id_t)who);
    return errno ? posix_error() : PyLong_FromLong(value);
}

BUILTIN(posix, setpriority, KEYWORDS, "($module, /, which, who, priority)", "Set program scheduling priority.")
{
    int which, who, priority;
    if (int_get(arg[0], &which) < 0 || int_get(arg[1], &who) < 0 || int_get(arg[2], &priority) < 0) return NULL;
    RETURN_NONE_OR_ERROR(setpriority((__priority_which_t)which, (id_t)who, priority));
}

/* ---- scheduling ----------------------------------------------------------------------------------------------------------------- */

static PyStructSequence_Field sched_param_fields[] = { { "sched_priority", "the scheduling priority" }, { 0 } };
static PyStructSequence_Desc sched_param_desc = { "posix.sched_param", "The scheduling parameters of a process.", sched_param_fields, 1 };

SIGNATURE(sched_param_signature, "sched_param", KEYWORDS, "(sched_priority)");

static PyObject *sched_param_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *bound[1], *o;
    if (args_bind_tuple(&sched_param_signature, args, kwargs, bound) < 0 || !(o = PyStructSequence_New(type))) return NULL;
    PyStructSequence_SetItem(o, 0, Py_NewRef(bound[0]));
    return o;
}

static PyObject *sched_param_reduce(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return Py_BuildValue("(O(O))", Py_TYPE(self), PyStructSequence_GetItem(self, 0));
}

static PyMethodDef sched_param_reduce_def = { "__reduce__", sched_param_reduce, METH_NOARGS, NULL };

static int sched_param_get(PyObject *module, PyObject *value, struct sched_param *param)
{
    if (!Py_IS_TYPE(value, posix_state(module)->sched_param)) {
        PyErr_SetString(PyExc_TypeError, "must have a sched_param object");
        return -1;
    }
    int overflow;
    long priority = PyLong_AsLongAndOverflow(PyStructSequence_GetItem(value, 0), &overflow);
    if (priority == -1 && !overflow && PyErr_Occurred()) return -1;
    if (overflow || priority > INT_MAX || priority < INT_MIN) {
        PyErr_SetString(PyExc_OverflowError, "sched_priority out of range");
        return -1;
    }
    *param = (struct sched_param){ .sched_priority = (int)priority };
    return 0;
}

BUILTIN_NOARGS(posix, sched_yield, "($module, /)", "Voluntarily relinquish the CPU.")
{
    int result;
    UNLOCKED(result, sched_yield());
    RETURN_NONE_OR_ERROR(result);
}

BUILTIN(posix, sched_get_priority_max, KEYWORDS, "($module, /, policy)", "Get the maximum scheduling priority for policy.")
{
    int policy;
    if (int_get(arg[0], &policy) < 0) return NULL;
    int value = sched_get_priority_max(policy);
    return value < 0 ? posix_error() : PyLong_FromLong(value);
}

BUILTIN(posix, sched_get_priority_min, KEYWORDS, "($module, /, policy)", "Get the minimum scheduling priority for policy.")
{
    int policy;
    if (int_get(arg[0], &policy) < 0) return NULL;
    int value = sched_get_priority_min(policy);
    return value < 0 ? posix_error() : PyLong_FromLong(value);
}

BUILTIN_O(posix, sched_getscheduler, "($module, pid, /)", "Get the scheduling policy for the process identified by pid.")
{
    int pid;
    if (int_get(arg, &pid) < 0) return NULL;
    int policy = sched_getscheduler(pid);
    return policy < 0 ? posix_error() : PyLong_FromLong(policy);
}

BUILTIN(posix, sched_setscheduler, PARSED, "($module, pid, policy, param, /)", "Set the scheduling policy for the process.")
{
    int pid, policy;
    struct sched_param param;
    if (int_get(arg[0], &pid) < 0 || int_get(arg[1], &policy) < 0 || sched_param_get(self, arg[2], &param) < 0) return NULL;
    RETURN_NONE_OR_ERROR(sched_setscheduler(pid, policy, &param));
}

BUILTIN_O(posix, sched_getparam, "($module, pid, /)", "Returns scheduling parameters for the process identified by pid.")
{
    int pid;
    struct sched_param param;
    if (int_get(arg, &pid) < 0) return NULL;
    if (sched_getparam(pid, &param) < 0) return posix_error();
    PyObject *o = PyStructSequence_New(posix_state(self)->sched_param);
    if (o) PyStructSequence_SetItem(o, 0, PyLong_FromLong(param.sched_priority));
    return o;
}

BUILTIN(posix, sched_setparam, PARSED, "($module, pid, param, /)", "Set scheduling parameters for the process identified by pid.")
{
    int pid;
    struct sched_param param;
    if (int_get(arg[0], &pid) < 0 || sched_param_get(self, arg[1], &param) < 0) return NULL;
    RETURN_NONE_OR_ERROR(sched_setparam(pid, &param));
}

BUILTIN_O(posix, sched_rr_get_interval, "($module, pid, /)", "Return the round-robin quantum for the process, in seconds.")
{
    int pid;
    struct timespec ts;
    if (int_get(arg, &pid) < 0) return NULL;
    if (sched_rr_get_interval(pid, &ts) < 0) return posix_error();
    return PyFloat_FromDouble((double)ts.tv_sec + 1e-9 * (double)ts.tv_nsec);
}

/* A set of CPUs large enough for the machine: grows until the kernel takes it. NULL with an exception. */
static cpu_set_t *affinity_get(pid_t pid, int *count)
{
    for (int n = CPU_SETSIZE; n <= 1 << 20; n *= 2) {
        cpu_set_t *set = CPU_ALLOC((size_t)n);
        if (!set) return (cpu_set_t *)PyErr_NoMemory();
        if (sched_getaffinity(pid, CPU_ALLOC_SIZE((size_t)n), set) == 0) {
            *count = n;
            return set;
        }
        CPU_FREE(set);
        if (errno != EINVAL) break;
    }
    return (cpu_set_t *)posix_error();
}

BUILTIN_O(posix, sched_getaffinity, "($module, pid, /)", "Return the affinity of the process identified by pid (or the current process if zero).")
{
    int pid, n;
    if (int_get(arg, &pid) < 0) return NULL;
    cpu_set_t *set = affinity_get(pid, &n);
    if (!set) return NULL;
    PyObject *cpus = PySet_New(NULL);
    for (int i = 0; cpus && i < n; i++) {
        if (!CPU_ISSET_S((size_t)i, CPU_ALLOC_SIZE((size_t)n), set)) continue;
        PyObject *number = PyLong_FromLong(i);
        if (!number || PySet_Add(cpus, number) < 0) Py_CLEAR(cpus);
        Py_XDECREF(number);
    }
    CPU_FREE(set);
    return cpus;
}

BUILTIN(posix, sched_setaffinity, PARSED, "($module, pid, mask, /)", "Set the CPU affinity of the process to an iterable of CPU numbers.")
{
    int pid;
    size_t n = CPU_SETSIZE;
    PyObject *item, *it;
    if (int_get(arg[0], &pid) < 0 || !(it = PyObject_GetIter(arg[1]))) return NULL;
    cpu_set_t *set = CPU_ALLOC(n);
    if (!set) PyErr_NoMemory();
    else CPU_ZERO_S(CPU_ALLOC_SIZE(n), set);
    while (set && !PyErr_Occurred() && (item = PyIter_Next(it))) {
        long cpu = -1;
        if (!PyLong_Check(item)) PyErr_Format(PyExc_TypeError, "expected an iterator of ints, but iterator yielded %R", Py_TYPE(item));
        else cpu = PyLong_AsLong(item);
        Py_DECREF(item);
        if (PyErr_Occurred()) break;
        if (cpu < 0) PyErr_SetString(PyExc_ValueError, "negative CPU number");
        else if (cpu > INT_MAX - 1) PyErr_SetString(PyExc_OverflowError, "CPU number too large");
        else {
            if ((size_t)cpu >= n) {
                size_t larger = n;
                while (larger <= (size_t)cpu) larger *= 2;
                cpu_set_t *grown = CPU_ALLOC(larger);
                if (!grown) {
                    PyErr_NoMemory();
                    break;
                }
                CPU_ZERO_S(CPU_ALLOC_SIZE(larger), grown);
                memcpy(grown, set, CPU_ALLOC_SIZE(n));
                CPU_FREE(set);
                set = grown;
                n = larger;
            }
            CPU_SET_S((size_t)cpu, CPU_ALLOC_SIZE(n), set);
        }
    }
    Py_DECREF(it);
    int result = -1;
    if (!PyErr_Occurred()) {
        result = sched_setaffinity(pid, CPU_ALLOC_SIZE(n), set);
        if (result < 0) posix_error();
    }
    if (set) CPU_FREE(set);
    if (result < 0) return NULL;
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(posix, cpu_count, "($module, /)", "Return the number of logical CPUs in the system; None if it cannot be determined.")
{
    int wanted = interp_config(PyInterpreterState_Get())->cpu_count;       /* -X cpu_count */
    long n = wanted > 0 ? wanted : sysconf(_SC_NPROCESSORS_ONLN);
    if (n > 0) return PyLong_FromLong(n);
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(posix, getloadavg, "($module, /)", "Return average recent system load information over 1, 5, and 15 minutes.")
{
    double load[3];
    if (getloadavg(load, 3) != 3) {
        PyErr_SetString(PyExc_OSError, "Load averages are unobtainable");
        return NULL;
    }
    return Py_BuildValue("ddd", load[0], load[1], load[2]);
}

/* ---- environment, randomness, names of the system --------------------------------------------------------------------------------- */

BUILTIN(posix, putenv, POSITIONAL, "($module, name, value, /)", "Change or add an environment variable.")
{
    PyObject *name = NULL, *value = NULL, *o = NULL;
    if (!PyUnicode_FSConverter(arg[0], &name)) return NULL;
    if (PyUnicode_FSConverter(arg[1], &value)) {
        const char *text = PyBytes_AS_STRING(name);
        if (strchr(text, '=')) PyErr_SetString(PyExc_ValueError, "illegal environment variable name");
        else if (PySys_Audit("os.putenv", "OO", name, value) >= 0)
            o = setenv(text, PyBytes_AS_STRING(value), 1) < 0 ? posix_error() : Py_NewRef(Py_None);
    }
    Py_DECREF(name);
    Py_XDECREF(value);
    return o;
}

BUILTIN_O(posix, unsetenv, "($module, name, /)", "Delete an environment variable.")
{
    PyObject *name = NULL, *o = NULL;
    if (!PyUnicode_FSConverter(arg, &name)) return NULL;
    if (PySys_Audit("os.unsetenv", "(O)", name) >= 0) o = unsetenv(PyBytes_AS_STRING(name)) < 0 ? posix_error() : Py_NewRef(Py_None);
    Py_DECREF(name);
    return o;
}

static PyObject *random_bytes(Py_ssize_t size, unsigned flags, bool all)
{
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, size);
    Py_ssize_t have = 0;
    while (bytes && have < size) {
        ssize_t n;
        bool interrupted;
        UNLOCKED_RETRY(n, getrandom(PyBytes_AS_STRING(bytes) + have, (size_t)(size - have), flags), interrupted);
        if (interrupted || n < 0) {
            if (!interrupted) posix_error();
            Py_CLEAR(bytes);
            break;
        }
        have += n;
        if (!all) break;
    }
    if (bytes && have != size) _PyBytes_Resize(&bytes, have);
    return bytes;
}

BUILTIN_O(posix, urandom, "($module, size, /)", "Return a bytes object containing random bytes suitable for cryptographic use.")
{
    Py_ssize_t size = PyNumber_AsSsize_t(arg, PyExc_OverflowError);
    if (size == -1 && PyErr_Occurred()) return NULL;
    if (size < 0) return PyErr_Format(PyExc_ValueError, "negative argument not allowed");
    return random_bytes(size, 0, true);
}

BUILTIN(posix, getrandom, KEYWORDS, "($module, /, size, flags=0)", "Obtain a series of random bytes, at most size.")
{
    int flags = 0;
    Py_ssize_t size = PyNumber_AsSsize_t(arg[0], PyExc_OverflowError);
    if ((size == -1 && PyErr_Occurred()) || (arg[1] && int_get(arg[1], &flags) < 0)) return NULL;
    if (size < 0) {
        errno = EINVAL;
        return posix_error();
    }
    return random_bytes(size, (unsigned)flags, false);
}

BUILTIN_O(posix, strerror, "($module, code, /)", "Translate an error code to a message string.")
{
    int code;
    if (int_get(arg, &code) < 0) return NULL;
    return PyUnicode_DecodeLocale(strerror(code), "surrogateescape");
}

BUILTIN_O(posix, umask, "($module, mask, /)", "Set the current numeric umask and return the previous umask.")
{
    int mask;
    if (int_get(arg, &mask) < 0) return NULL;
    return PyLong_FromLong((long)umask((mode_t)mask));
}

static PyStructSequence_Field uname_fields[] = {
    { "sysname", "operating system name" }, { "nodename", "name of machine on network (implementation-defined)" },
    { "release", "operating system release" }, { "version", "operating system version" }, { "machine", "hardware identifier" }, { 0 }
};
static PyStructSequence_Desc uname_desc = { "posix.uname_result", "The result of uname().", uname_fields, 5 };

BUILTIN_NOARGS(posix, uname, "($module, /)", "Return an object identifying the current operating system.")
{
    struct utsname u;
    if (uname(&u) < 0) return posix_error();
    PyObject *o = PyStructSequence_New(posix_state(self)->uname_result);
    if (!o) return NULL;
    const char *texts[] = { u.sysname, u.nodename, u.release, u.version, u.machine };
    for (int i = 0; i < 5; i++) {
        PyObject *text = PyUnicode_DecodeFSDefault(texts[i]);
        if (!text) {
            Py_DECREF(o);
            return NULL;
        }
        PyStructSequence_SetItem(o, i, text);
    }
    return o;
}

static PyStructSequence_Field times_fields[] = {
    { "user", "user time" }, { "system", "system time" }, { "children_user", "user time of children" },
    { "children_system", "system time of children" }, { "elapsed", "elapsed time since an arbitrary point in the past" }, { 0 }
};
static PyStructSequence_Desc times_desc = { "posix.times_result", "The result of times(): seconds as floats.", times_fields, 5 };

BUILTIN_NOARGS(posix, times, "($module, /)", "Return a collection containing process timing information.")
{
    struct tms t;
    clock_t elapsed = times(&t);
    if (elapsed == (clock_t)-1) return posix_error();
    PyObject *o = PyStructSequence_New(posix_state(self)->times_result);
    if (!o) return NULL;
    double ticks = (double)sysconf(_SC_CLK_TCK);
    const clock_t values[] = { t.tms_utime, t.tms_stime, t.tms_cutime, t.tms_cstime, elapsed };
    for (int i = 0; i < 5; i++) PyStructSequence_SetItem(o, i, PyFloat_FromDouble((double)values[i] / ticks));
    if (PyErr_Occurred()) Py_CLEAR(o);
    return o;
}

BUILTIN_NOARGS(posix, ctermid, "($module, /)", "Return the name of the controlling terminal for this process.")
{
    char name[L_ctermid];
    return PyUnicode_DecodeFSDefault(ctermid(name));
}

BUILTIN_RAW(posix, register_at_fork, "($module, /, *, before=<unrepresentable>,\n                 after_in_child=<unrepresentable>,\n"
            "                 after_in_parent=<unrepresentable>)", "Register callables to be called when forking a new process.")
{
    static const char *const names[] = { "before", "after_in_child", "after_in_parent" };
    PyObject *hooks[3] = { NULL };
    if (nargs) return PyErr_Format(PyExc_TypeError, "register_at_fork() takes no positional arguments");
    for (Py_ssize_t k = 0; kwnames && k < PyTuple_GET_SIZE(kwnames); k++) {
        PyObject *keyword = PyTuple_GET_ITEM(kwnames, k);
        int i = 0;
        while (i < 3 && PyUnicode_CompareWithASCIIString(keyword, names[i])) i++;
        if (i == 3) return PyErr_Format(PyExc_TypeError, "register_at_fork() got an unexpected keyword argument '%U'", keyword);
        hooks[i] = args[k];
    }
    if (!hooks[0] && !hooks[1] && !hooks[2]) return PyErr_Format(PyExc_TypeError, "At least one argument is required.");
    for (int i = 0; i < 3; i++)
        if (hooks[i] && !PyCallable_Check(hooks[i])) return PyErr_Format(PyExc_TypeError, "'%s' must be callable, not %T", names[i], hooks[i]);
    return runtime_register_at_fork(hooks[0], hooks[1], hooks[2]) < 0 ? NULL : Py_NewRef(Py_None);
}

/* The terminal's size is listed with descriptors (fds.c); its type stands with the other struct sequences. */
static PyStructSequence_Field terminal_size_fields[] = {
    { "columns", "width of the terminal window in characters" }, { "lines", "height of the terminal window in characters" }, { 0 }
};
static PyStructSequence_Desc terminal_size_desc = { "os.terminal_size", "A tuple of (columns, lines) for holding terminal window size",
                                                    terminal_size_fields, 2 };

int posix_add_process_types(PyObject *module, PosixState *state)
{
    const struct { const char *name; PyTypeObject **type; PyStructSequence_Desc *desc; } types[] = {
        { "waitid_result", &state->waitid_result, &waitid_desc }, { "sched_param", &state->sched_param, &sched_param_desc },
        { "uname_result", &state->uname_result, &uname_desc }, { "times_result", &state->times_result, &times_desc },
        { "terminal_size", &state->terminal_size, &terminal_size_desc },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(types); i++) {
        if (!(*types[i].type = PyStructSequence_NewType(types[i].desc))) return -1;
        if (PyModule_AddObjectRef(module, types[i].name, (PyObject *)*types[i].type) < 0) return -1;
    }
    state->sched_param->tp_new = sched_param_new;
    PyObject *reduce = PyDescr_NewMethod(state->sched_param, &sched_param_reduce_def);
    if (!reduce) return -1;
    PyObject *dict = PyType_GetDict(state->sched_param);
    int status = PyDict_SetItemString(dict, "__reduce__", reduce);
    Py_DECREF(dict);
    Py_DECREF(reduce);
    PyType_Modified(state->sched_param);
    return status;
}

PyMethodDef posix_process_methods[] = {
    METHOD(posix, fork), METHOD(posix, forkpty), METHOD(posix, _exit), METHOD(posix, abort), METHOD(posix, system), METHOD(posix, waitpid),
    METHOD(posix, wait), METHOD(posix, wait3), METHOD(posix, wait4), METHOD(posix, waitid), METHOD(posix, WCOREDUMP),
    METHOD(posix, WIFCONTINUED), METHOD(posix, WIFSTOPPED), METHOD(posix, WIFSIGNALED), METHOD(posix, WIFEXITED), METHOD(posix, WEXITSTATUS),
    METHOD(posix, WTERMSIG), METHOD(posix, WSTOPSIG), METHOD(posix, waitstatus_to_exitcode), METHOD(posix, kill), METHOD(posix, killpg),
    METHOD(posix, getpid), METHOD(posix, getppid), METHOD(posix, getpgrp), METHOD(posix, setpgrp), METHOD(posix, setsid),
    METHOD(posix, getpgid), METHOD(posix, getsid), METHOD(posix, setpgid), METHOD(posix, nice), METHOD(posix, getpriority),
    METHOD(posix, setpriority), METHOD(posix, sched_yield), METHOD(posix, sched_get_priority_max), METHOD(posix, sched_get_priority_min),
    METHOD(posix, sched_getscheduler), METHOD(posix, sched_setscheduler), METHOD(posix, sched_getparam), METHOD(posix, sched_setparam),
    METHOD(posix, sched_rr_get_interval), METHOD(posix, sched_getaffinity), METHOD(posix, sched_setaffinity), METHOD(posix, cpu_count),
    METHOD(posix, getloadavg), METHOD(posix, putenv), METHOD(posix, unsetenv), METHOD(posix, urandom), METHOD(posix, getrandom),
    METHOD(posix, strerror), METHOD(posix, umask), METHOD(posix, uname), METHOD(posix, times), METHOD(posix, ctermid),
    METHOD(posix, register_at_fork),
    { 0 }
};
