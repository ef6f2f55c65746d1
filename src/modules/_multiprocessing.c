/* The modules _multiprocessing (named semaphores) and _posixshmem (named shared memory). */
#include "capi/args.h"
#include "modules/support.h"

#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <sys/mman.h>
#include <time.h>

enum { KIND_RECURSIVE, KIND_SEMAPHORE };

/* A lock that processes share. count and owner are those of this process: what it holds, and which thread acquired it last. */
typedef struct SemLock {
    PyObject_HEAD
    sem_t *handle;
    unsigned long owner;
    int count, maxvalue, kind;
    char *name;
} SemLock;

#define SEM(o) ((SemLock *)(o))

static bool is_mine(SemLock *s) { return s->count > 0 && PyThread_get_thread_ident() == s->owner; }
static PyObject *os_error(void) { return PyErr_SetFromErrno(PyExc_OSError); }

/* Takes handle over; name is copied. */
static PyObject *semlock_make(PyTypeObject *type, sem_t *handle, int kind, int maxvalue, const char *name)
{
    char *copy = NULL;
    if (name) {
        if (!(copy = PyMem_Malloc(strlen(name) + 1))) {
            if (handle != SEM_FAILED) sem_close(handle);
            return PyErr_NoMemory();
        }
        strcpy(copy, name);
    }
    SemLock *s = (SemLock *)type->tp_alloc(type, 0);
    if (!s) {
        PyMem_Free(copy);
        sem_close(handle);
        return NULL;
    }
    s->handle = handle;
    s->kind = kind;
    s->count = 0;
    s->owner = 0;
    s->maxvalue = maxvalue;
    s->name = copy;
    return (PyObject *)s;
}

static PyObject *semlock_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = { "kind", "value", "maxvalue", "name", "unlink", NULL };
    int kind, value, maxvalue, unlink;
    const char *name;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "iiisp:SemLock", keywords, &kind, &value, &maxvalue, &name, &unlink)) return NULL;
    if (kind != KIND_RECURSIVE && kind != KIND_SEMAPHORE) return PyErr_Format(PyExc_ValueError, "unrecognized kind");
    sem_t *handle = sem_open(name, O_CREAT | O_EXCL, 0600, (unsigned)value);
    if (handle == SEM_FAILED) return os_error();
    if (unlink && sem_unlink(name) < 0) {
        os_error();
        sem_close(handle);
        return NULL;
    }
    return semlock_make(type, handle, kind, maxvalue, unlink ? NULL : name);
}

static void semlock_dealloc(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    if (SEM(self)->handle && SEM(self)->handle != SEM_FAILED) sem_close(SEM(self)->handle);
    PyMem_Free(SEM(self)->name);
    free_instance(self);
}

static int semlock_traverse(PyObject *self, visitproc visit, void *arg)
{
    VISIT_TYPE(self);
    return 0;
}

static PyObject *semlock__rebuild(PyObject *type, PyObject *args)
{
    Py_ssize_t handle;
    int kind, maxvalue;
    const char *name;
    if (!PyArg_ParseTuple(args, "niiz:_rebuild", &handle, &kind, &maxvalue, &name)) return NULL;
    sem_t *sem = (sem_t *)handle;
    if (name && (sem = sem_open(name, 0)) == SEM_FAILED) return os_error();
    return semlock_make((PyTypeObject *)type, sem, kind, maxvalue, name);
}

/* ---- acquire, release -------------------------------------------------------------------------------------------------------------- */

static int deadline_argument(PyObject *timeout, struct timespec *deadline)
{
    double seconds = PyFloat_AsDouble(timeout);
    if (seconds == -1.0 && PyErr_Occurred()) return -1;
    if (seconds < 0.0) seconds = 0.0;
    if (seconds > 1e9) seconds = 1e9;
    if (clock_gettime(CLOCK_REALTIME, deadline) < 0) {
        os_error();
        return -1;
    }
    long whole = (long)seconds;
    deadline->tv_sec += whole;
    deadline->tv_nsec += (long)((seconds - (double)whole) * 1e9 + 0.5);
    deadline->tv_sec += deadline->tv_nsec / 1000000000;
    deadline->tv_nsec %= 1000000000;
    return 0;
}

/* 0, or an errno; EINTR when a signal handler raised. */
static int semlock_wait(SemLock *s, bool blocking, const struct timespec *deadline)
{
    int failed;
    do {
        failed = sem_trywait(s->handle) < 0 ? errno : 0;
    } while (failed == EINTR && !PyErr_CheckSignals());
    if (failed != EAGAIN || !blocking) return failed;
    do {
        Py_BEGIN_ALLOW_THREADS
        failed = (deadline ? sem_timedwait(s->handle, deadline) : sem_wait(s->handle)) < 0 ? errno : 0;
        Py_END_ALLOW_THREADS
    } while (failed == EINTR && !PyErr_CheckSignals());
    return failed;
}

static PyObject *semlock_take(SemLock *s, bool blocking, PyObject *timeout)
{
    struct timespec deadline;
    if (s->kind == KIND_RECURSIVE && is_mine(s)) {
        s->count++;
        Py_RETURN_TRUE;
    }
    bool limited = timeout && timeout != Py_None;
    if (limited && deadline_argument(timeout, &deadline) < 0) return NULL;
    int failed = semlock_wait(s, blocking, limited ? &deadline : NULL);
    if (failed == 0) {
        s->count++;
        s->owner = PyThread_get_thread_ident();
        Py_RETURN_TRUE;
    }
    if (failed == EAGAIN || failed == ETIMEDOUT) Py_RETURN_FALSE;
    if (failed == EINTR) return NULL;
    errno = failed;
    return os_error();
}

BUILTIN(semlock, acquire, KEYWORDS, "($self, /, block=True, timeout=None)", "Acquire the semaphore or lock; whether that succeeded.")
{
    int blocking = arg[0] ? PyObject_IsTrue(arg[0]) : 1;
    return blocking < 0 ? NULL : semlock_take(SEM(self), blocking, arg[1]);
}

BUILTIN_NOARGS(semlock, __enter__, "($self, /)", "Acquire the semaphore or lock.") { return semlock_take(SEM(self), true, NULL); }

static PyObject *semlock_give(SemLock *s)
{
    int value;
    if (s->kind == KIND_RECURSIVE) {
        if (!is_mine(s)) return PyErr_Format(PyExc_AssertionError, "attempt to release recursive lock not owned by thread");
        if (s->count > 1) {
            s->count--;
            Py_RETURN_NONE;
        }
    } else {
        if (sem_getvalue(s->handle, &value) < 0) return os_error();
        if (value >= s->maxvalue) return PyErr_Format(PyExc_ValueError, "semaphore or lock released too many times");
    }
    if (sem_post(s->handle) < 0) return os_error();
    s->count--;
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(semlock, release, "($self, /)", "Release the semaphore or lock.") { return semlock_give(SEM(self)); }

BUILTIN(semlock, __exit__, POSITIONAL, "($self, exc_type=None, exc_value=None, exc_tb=None, /)", "Release the semaphore or lock.")
{
    return semlock_give(SEM(self));
}

BUILTIN_NOARGS(semlock, _count, "($self, /)", "How often this process acquired it more than it released it.") { return PyLong_FromLong(SEM(self)->count); }
BUILTIN_NOARGS(semlock, _is_mine, "($self, /)", "Whether this thread owns the lock.") { return PyBool_FromLong(is_mine(SEM(self))); }

BUILTIN_NOARGS(semlock, _get_value, "($self, /)", "The value of the semaphore.")
{
    int value;
    if (sem_getvalue(SEM(self)->handle, &value) < 0) return os_error();
    return PyLong_FromLong(value < 0 ? 0 : value);
}

BUILTIN_NOARGS(semlock, _is_zero, "($self, /)", "Whether the value of the semaphore is zero.")
{
    int value;
    if (sem_getvalue(SEM(self)->handle, &value) < 0) return os_error();
    return PyBool_FromLong(value == 0);
}

BUILTIN_NOARGS(semlock, _after_fork, "($self, /)", "In the child of a fork: nothing is acquired.")
{
    SEM(self)->count = 0;
    Py_RETURN_NONE;
}

static PyMethodDef semlock_methods[] = {
    METHOD(semlock, acquire), METHOD(semlock, release), METHOD(semlock, __enter__), METHOD(semlock, __exit__), METHOD(semlock, _count),
    METHOD(semlock, _is_mine), METHOD(semlock, _get_value), METHOD(semlock, _is_zero),
    { "_rebuild", semlock__rebuild, METH_VARARGS | METH_CLASS, PyDoc_STR("_rebuild($type, handle, kind, maxvalue, name, /)\n--\n\n") },
    METHOD(semlock, _after_fork), {0},
};

static PyMemberDef semlock_members[] = {
    { "handle", Py_T_PYSSIZET, offsetof(SemLock, handle), Py_READONLY }, { "kind", Py_T_INT, offsetof(SemLock, kind), Py_READONLY },
    { "maxvalue", Py_T_INT, offsetof(SemLock, maxvalue), Py_READONLY }, { "name", Py_T_STRING, offsetof(SemLock, name), Py_READONLY }, {0},
};

static PyType_Slot semlock_slots[] = {
    SLOT(tp_dealloc, semlock_dealloc), SLOT(tp_getattro, PyObject_GenericGetAttr), SLOT(tp_setattro, PyObject_GenericSetAttr),
    SLOT(tp_methods, semlock_methods), SLOT(tp_members, semlock_members), SLOT(tp_alloc, PyType_GenericAlloc), SLOT(tp_new, semlock_new),
    SLOT(tp_traverse, semlock_traverse), SLOT(tp_free, PyObject_GC_Del), SLOT(tp_doc, "Semaphore/Mutex type"), {0},
};

static PyType_Spec semlock_spec = {
    .name = "_multiprocessing.SemLock", .basicsize = sizeof(SemLock), .slots = semlock_slots,
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
};

/* ---- _multiprocessing ----------------------------------------------------------------------------------------------------------------- */

static PyObject *multiprocessing_sem_unlink(PyObject *self, PyObject *arg)
{
    Py_ssize_t length;
    if (!PyUnicode_Check(arg)) return PyErr_Format(PyExc_TypeError, "sem_unlink() argument must be str, not %.50s", Py_TYPE(arg)->tp_name);
    const char *name = PyUnicode_AsUTF8AndSize(arg, &length);
    if (!name) return NULL;
    if (strlen(name) != (size_t)length) return PyErr_Format(PyExc_ValueError, "embedded null character");
    if (sem_unlink(name) < 0) return os_error();
    Py_RETURN_NONE;
}

static PyMethodDef multiprocessing_methods[] = {
    { "sem_unlink", multiprocessing_sem_unlink, METH_O, PyDoc_STR("sem_unlink($module, name, /)\n--\n\n") }, {0},
};

static int multiprocessing_exec(PyObject *module)
{
    PyTypeObject *type;
    if (module_add_type(module, &semlock_spec, &type) < 0) return -1;
    PyObject *limit = PyLong_FromLong(SEM_VALUE_MAX), *dict = PyType_GetDict(type);
    int status = limit && dict ? PyDict_SetItemString(dict, "SEM_VALUE_MAX", limit) : -1;
    PyType_Modified(type);
    Py_XDECREF(limit);
    Py_XDECREF(dict);
    Py_DECREF(type);
    if (status < 0) return -1;
    return PyModule_Add(module, "flags", Py_BuildValue("{s:i,s:i}", "HAVE_SEM_OPEN", 1, "HAVE_SEM_TIMEDWAIT", 1));
}

static PyModuleDef_Slot multiprocessing_slots[] = { SLOT(mod_exec, multiprocessing_exec), MODULE_SLOTS_COMMON, {0} };
static struct PyModuleDef multiprocessing_module = {
    PyModuleDef_HEAD_INIT, .m_name = "_multiprocessing", .m_methods = multiprocessing_methods, .m_slots = multiprocessing_slots,
};

PyMODINIT_FUNC PyInit__multiprocessing(void) { return PyModuleDef_Init(&multiprocessing_module); }

/* ---- _posixshmem ----------------------------------------------------------------------------------------------------------------------- */

static const char *path_argument(PyObject *path, const char *function)
{
    Py_ssize_t length;
    if (!PyUnicode_Check(path)) {
        PyErr_Format(PyExc_TypeError, "%s() argument 'path' must be str, not %.50s", function, path == Py_None ? "None" : Py_TYPE(path)->tp_name);
        return NULL;
    }
    const char *text = PyUnicode_AsUTF8AndSize(path, &length);
    if (!text || strlen(text) == (size_t)length) return text;
    PyErr_SetString(PyExc_ValueError, "embedded null character");
    return NULL;
}

BUILTIN(posixshmem, shm_open, KEYWORDS, "($module, /, path, flags, mode=511)", "Open a shared memory object; a file descriptor.")
{
    const char *path = path_argument(arg[0], "shm_open");
    if (!path) return NULL;
    int flags = PyLong_AsInt(arg[1]), mode = 0777, fd;
    if (flags == -1 && PyErr_Occurred()) return NULL;
    if (arg[2] && (mode = PyLong_AsInt(arg[2])) == -1 && PyErr_Occurred()) return NULL;
    do {
        Py_BEGIN_ALLOW_THREADS
        fd = shm_open(path, flags, (mode_t)mode);
        Py_END_ALLOW_THREADS
    } while (fd < 0 && errno == EINTR && !PyErr_CheckSignals());
    if (fd >= 0) return PyLong_FromLong(fd);
    return PyErr_Occurred() ? NULL : PyErr_SetFromErrnoWithFilenameObject(PyExc_OSError, arg[0]);
}

BUILTIN(posixshmem, shm_unlink, KEYWORDS, "($module, /, path)", "Remove the name of a shared memory object; it lives on while it is open.")
{
    const char *path = path_argument(arg[0], "shm_unlink");
    int failed;
    if (!path) return NULL;
    do {
        Py_BEGIN_ALLOW_THREADS
        failed = shm_unlink(path);
        Py_END_ALLOW_THREADS
    } while (failed && errno == EINTR && !PyErr_CheckSignals());
    if (!failed) Py_RETURN_NONE;
    return PyErr_Occurred() ? NULL : PyErr_SetFromErrnoWithFilenameObject(PyExc_OSError, arg[0]);
}

static PyMethodDef posixshmem_methods[] = { METHOD(posixshmem, shm_open), METHOD(posixshmem, shm_unlink), {0} };
static PyModuleDef_Slot posixshmem_slots[] = { MODULE_SLOTS_COMMON, {0} };
static struct PyModuleDef posixshmem_module = {
    PyModuleDef_HEAD_INIT, .m_name = "_posixshmem", .m_doc = "POSIX shared memory module", .m_methods = posixshmem_methods,
    .m_slots = posixshmem_slots,
};

PyMODINIT_FUNC PyInit__posixshmem(void) { return PyModuleDef_Init(&posixshmem_module); }
