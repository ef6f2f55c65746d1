/* The resource module: limits and usage. */
#include "capi/args.h"

#include <errno.h>
#include <structseq.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

typedef struct ResourceState { PyTypeObject *rusage; } ResourceState;

static PyStructSequence_Field rusage_fields[] = {
    { "ru_utime", "user time used" }, { "ru_stime", "system time used" }, { "ru_maxrss", "max. resident set size" },
    { "ru_ixrss", "shared memory size" }, { "ru_idrss", "unshared data size" }, { "ru_isrss", "unshared stack size" },
    { "ru_minflt", "page faults not requiring I/O" }, { "ru_majflt", "page faults requiring I/O" }, { "ru_nswap", "number of swap outs" },
    { "ru_inblock", "block input operations" }, { "ru_oublock", "block output operations" }, { "ru_msgsnd", "IPC messages sent" },
    { "ru_msgrcv", "IPC messages received" }, { "ru_nsignals", "signals received" }, { "ru_nvcsw", "voluntary context switches" },
    { "ru_nivcsw", "involuntary context switches" }, { 0 }
};
static PyStructSequence_Desc rusage_desc = { "resource.struct_rusage", "The result of getrusage(): a tuple of sixteen numbers with names.", rusage_fields, 16 };

static double seconds(const struct timeval *tv) { return (double)tv->tv_sec + (double)tv->tv_usec * 1e-6; }

BUILTIN_O(resource, getrusage, "($module, who, /)", "")
{
    struct rusage u;
    int who = PyLong_AsInt(arg);
    if (who == -1 && PyErr_Occurred()) return NULL;
    if (getrusage(who, &u) < 0) {
        if (errno != EINVAL) return PyErr_SetFromErrno(PyExc_OSError);
        PyErr_SetString(PyExc_ValueError, "invalid who parameter");
        return NULL;
    }
    PyObject *o = PyStructSequence_New(((ResourceState *)PyModule_GetState(self))->rusage);
    if (!o) return NULL;
    const long counts[] = { u.ru_maxrss, u.ru_ixrss, u.ru_idrss, u.ru_isrss, u.ru_minflt, u.ru_majflt, u.ru_nswap, u.ru_inblock, u.ru_oublock,
                            u.ru_msgsnd, u.ru_msgrcv, u.ru_nsignals, u.ru_nvcsw, u.ru_nivcsw };
    PyStructSequence_SetItem(o, 0, PyFloat_FromDouble(seconds(&u.ru_utime)));
    PyStructSequence_SetItem(o, 1, PyFloat_FromDouble(seconds(&u.ru_stime)));
    for (size_t i = 0; i < ARRAY_LENGTH(counts); i++) PyStructSequence_SetItem(o, (Py_ssize_t)i + 2, PyLong_FromLong(counts[i]));
    if (PyErr_Occurred()) Py_CLEAR(o);
    return o;
}

static PyObject *limit_object(rlim_t value)
{
    return value == RLIM_INFINITY ? PyLong_FromLong(-1) : PyLong_FromUnsignedLongLong(value);
}

static int limit_value(PyObject *value, rlim_t *limit)
{
    if (PyLong_Check(value)) {
        int overflow;
        if (PyLong_AsLongAndOverflow(value, &overflow) == -1 && !overflow) {
            *limit = RLIM_INFINITY;
            return 0;
        }
    }
    long long n = PyLong_AsLongLong(value);
    *limit = (rlim_t)n;
    return n == -1 && PyErr_Occurred() ? -1 : 0;
}

static int limits_argument(PyObject *value, struct rlimit *limits)
{
    PyObject *tuple = PySequence_Tuple(value);
    if (!tuple) return -1;
    int status = -1;
    if (PyTuple_GET_SIZE(tuple) != 2) PyErr_SetString(PyExc_ValueError, "expected a tuple of 2 integers");
    else if (limit_value(PyTuple_GET_ITEM(tuple, 0), &limits->rlim_cur) == 0 && limit_value(PyTuple_GET_ITEM(tuple, 1), &limits->rlim_max) == 0)
        status = 0;
    Py_DECREF(tuple);
    return status;
}

static int kind_argument(PyObject *value, int *kind)
{
    if ((*kind = PyLong_AsInt(value)) == -1 && PyErr_Occurred()) return -1;
    if (*kind >= 0 && *kind < RLIM_NLIMITS) return 0;
    PyErr_SetString(PyExc_ValueError, "invalid resource specified");
    return -1;
}

BUILTIN_O(resource, getrlimit, "($module, resource, /)", "")
{
    struct rlimit limits;
    int kind;
    if (kind_argument(arg, &kind) < 0) return NULL;
    if (getrlimit((__rlimit_resource_t)kind, &limits) < 0) return PyErr_SetFromErrno(PyExc_OSError);
    return Py_BuildValue("(NN)", limit_object(limits.rlim_cur), limit_object(limits.rlim_max));
}

static PyObject *set_error(void)
{
    if (errno == EINVAL) PyErr_SetString(PyExc_ValueError, "current limit exceeds maximum limit");
    else if (errno == EPERM) PyErr_SetString(PyExc_ValueError, "not allowed to raise maximum limit");
    else return PyErr_SetFromErrno(PyExc_OSError);
    return NULL;
}

BUILTIN(resource, setrlimit, POSITIONAL, "($module, resource, limits, /)", "")
{
    struct rlimit limits;
    int kind;
    if ((kind = PyLong_AsInt(arg[0])) == -1 && PyErr_Occurred()) return NULL;
    if (PySys_Audit("resource.setrlimit", "iO", kind, arg[1]) < 0) return NULL;
    if (kind_argument(arg[0], &kind) < 0 || limits_argument(arg[1], &limits) < 0) return NULL;
    if (setrlimit((__rlimit_resource_t)kind, &limits) < 0) return set_error();
    Py_RETURN_NONE;
}

BUILTIN(resource, prlimit, POSITIONAL, "($module, pid, resource, limits=None, /)", "")
{
    struct rlimit old, new;
    bool set = arg[2] && arg[2] != Py_None;
    int kind, pid = PyLong_AsInt(arg[0]);
    if (pid == -1 && PyErr_Occurred()) return NULL;
    if (kind_argument(arg[1], &kind) < 0) return NULL;
    if (PySys_Audit("resource.prlimit", "iiO", pid, kind, set ? arg[2] : Py_None) < 0 || (set && limits_argument(arg[2], &new) < 0)) return NULL;
    if (prlimit(pid, (__rlimit_resource_t)kind, set ? &new : NULL, &old) < 0) {
        if (errno == EINVAL) {
            PyErr_SetString(PyExc_ValueError, "current limit exceeds maximum limit");
            return NULL;
        }
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    return Py_BuildValue("(NN)", limit_object(old.rlim_cur), limit_object(old.rlim_max));
}

BUILTIN_NOARGS(resource, getpagesize, "($module, /)", "") { return PyLong_FromLong(sysconf(_SC_PAGESIZE)); }

static PyMethodDef resource_methods[] = {
    METHOD(resource, getrusage), METHOD(resource, getrlimit), METHOD(resource, setrlimit), METHOD(resource, prlimit), METHOD(resource, getpagesize), { 0 }
};

static const struct { const char *name; long value; } constants[] = {
    { "RLIMIT_AS", RLIMIT_AS }, { "RLIMIT_CORE", RLIMIT_CORE }, { "RLIMIT_CPU", RLIMIT_CPU }, { "RLIMIT_DATA", RLIMIT_DATA },
    { "RLIMIT_FSIZE", RLIMIT_FSIZE }, { "RLIMIT_MEMLOCK", RLIMIT_MEMLOCK }, { "RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE },
    { "RLIMIT_NICE", RLIMIT_NICE }, { "RLIMIT_NOFILE", RLIMIT_NOFILE }, { "RLIMIT_NPROC", RLIMIT_NPROC },
    { "RLIMIT_OFILE", RLIMIT_OFILE }, { "RLIMIT_RSS", RLIMIT_RSS }, { "RLIMIT_RTPRIO", RLIMIT_RTPRIO },
    { "RLIMIT_RTTIME", RLIMIT_RTTIME }, { "RLIMIT_SIGPENDING", RLIMIT_SIGPENDING }, { "RLIMIT_STACK", RLIMIT_STACK },
    { "RUSAGE_CHILDREN", RUSAGE_CHILDREN }, { "RUSAGE_SELF", RUSAGE_SELF }, { "RUSAGE_THREAD", RUSAGE_THREAD },
};

static int resource_exec(PyObject *module)
{
    ResourceState *state = PyModule_GetState(module);
    if (!(state->rusage = PyStructSequence_NewType(&rusage_desc))) return -1;
    if (PyModule_AddObjectRef(module, "struct_rusage", (PyObject *)state->rusage) < 0) return -1;
    if (PyModule_AddObjectRef(module, "error", PyExc_OSError) < 0 || PyModule_AddIntConstant(module, "RLIM_INFINITY", -1) < 0) return -1;
    for (size_t i = 0; i < ARRAY_LENGTH(constants); i++)
        if (PyModule_AddIntConstant(module, constants[i].name, constants[i].value) < 0) return -1;
    return 0;
}

static int resource_traverse(PyObject *module, visitproc visit, void *arg)
{
    Py_VISIT(((ResourceState *)PyModule_GetState(module))->rusage);
    return 0;
}

static int resource_clear(PyObject *module)
{
    Py_CLEAR(((ResourceState *)PyModule_GetState(module))->rusage);
    return 0;
}

static void resource_free(void *module) { resource_clear(module); }

static PyModuleDef_Slot resource_slots[] = {
    { Py_mod_exec, resource_exec }, { Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED }, { 0 }
};
static struct PyModuleDef resource_definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "resource",
    .m_size = sizeof(ResourceState),
    .m_methods = resource_methods,
    .m_slots = resource_slots,
    .m_traverse = resource_traverse,
    .m_clear = resource_clear,
    .m_free = resource_free,
};
PyMODINIT_FUNC PyInit_resource(void) { return PyModuleDef_Init(&resource_definition); }
