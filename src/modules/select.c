/* The select module: select(), poll objects, epoll objects. Interrupted waits go on with the time that is left (PEP 475). */
#include "capi/args.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <time.h>
#include <unistd.h>

typedef struct SelectState { PyTypeObject *poll, *epoll; } SelectState;

static PyObject *os_error(void) { return PyErr_SetFromErrno(PyExc_OSError); }

static int64_t now_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

/* A timeout in units of `unit` ns; None (or NULL) gives -1. Rounds up. 0 or -1 with an exception. */
static int timeout_get(PyObject *value, double unit, const char *message, int64_t *ns)
{
    *ns = -1;
    if (!value || value == Py_None) return 0;
    if (!PyNumber_Check(value) || PyUnicode_Check(value)) {
        PyErr_SetString(PyExc_TypeError, message);
        return -1;
    }
    double number = PyFloat_AsDouble(value);
    if (number == -1.0 && PyErr_Occurred()) {
        if (PyErr_ExceptionMatches(PyExc_TypeError)) PyErr_SetString(PyExc_TypeError, message);
        return -1;
    }
    if (isnan(number)) {
        PyErr_SetString(PyExc_ValueError, "Invalid value NaN (not a number)");
        return -1;
    }
    number = number < 0 ? floor(number * unit) : ceil(number * unit);      /* away from zero */
    if (number > 9.2e18 || number < -9.2e18) {
        PyErr_SetString(PyExc_OverflowError, "timestamp too large to convert to C PyTime_t");
        return -1;
    }
    *ns = (int64_t)number;
    if (*ns == -1) *ns = -2;
    return 0;
}

/* ---- select ------------------------------------------------------------------------------------------------------------------- */

typedef struct Watched { PyObject *object; int fd; } Watched;

/* The objects of a sequence and their descriptors; how many, or -1. */
static Py_ssize_t watch(PyObject *sequence, fd_set *set, Watched *watched, int *max)
{
    FD_ZERO(set);
    PyObject *fast = PySequence_Fast(sequence, "arguments 1-3 must be sequences");
    if (!fast) return -1;
    Py_ssize_t n = 0;
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(fast); i++) {
        PyObject *o = Py_NewRef(PySequence_Fast_GET_ITEM(fast, i));
        int fd = PyObject_AsFileDescriptor(o);
        if (fd >= FD_SETSIZE || n >= FD_SETSIZE) {
            PyErr_SetString(PyExc_ValueError, fd >= FD_SETSIZE ? "filedescriptor out of range in select()" : "too many file descriptors in select()");
            fd = -1;
        }
        if (fd < 0) {
            Py_DECREF(o);
            while (n) Py_DECREF(watched[--n].object);
            Py_DECREF(fast);
            return -1;
        }
        if (fd > *max) *max = fd;
        FD_SET(fd, set);
        watched[n++] = (Watched){ o, fd };
    }
    Py_DECREF(fast);
    return n;
}

static PyObject *ready_list(const fd_set *set, const Watched *watched, Py_ssize_t n)
{
    PyObject *list = PyList_New(0);
    for (Py_ssize_t i = 0; list && i < n; i++)
        if (FD_ISSET(watched[i].fd, set) && PyList_Append(list, watched[i].object) < 0) Py_CLEAR(list);
    return list;
}

BUILTIN(select_module, select, POSITIONAL, "($module, rlist, wlist, xlist, timeout=None, /)",
        "Wait until one or more file descriptors are ready for some kind of I/O; timeout is in seconds.")
{
    int64_t timeout, deadline = 0;
    int max = -1, result;
    fd_set sets[3], wanted[3];
    Py_ssize_t counts[3] = { 0 };
    if (timeout_get(arg[3], 1e9, "timeout must be a float or None", &timeout) < 0) return NULL;
    if (timeout < -1) return PyErr_Format(PyExc_ValueError, "timeout must be non-negative");
    Watched *watched[3], *all = PyMem_New(Watched, 3 * (FD_SETSIZE + 1));
    PyObject *lists[3] = { NULL }, *o = NULL;
    if (!all) return PyErr_NoMemory();
    for (int i = 0; i < 3; i++) watched[i] = all + i * (FD_SETSIZE + 1);
    for (int i = 0; i < 3; i++)
        if ((counts[i] = watch(arg[i], &wanted[i], watched[i], &max)) < 0) {
            counts[i] = 0;
            goto done;
        }
    if (timeout >= 0) deadline = now_ns() + timeout;
    for (;;) {
        struct timeval tv = { timeout / 1000000000, (timeout % 1000000000 + 999) / 1000 };
        if (tv.tv_usec >= 1000000) tv = (struct timeval){ tv.tv_sec + 1, 0 };
        memcpy(sets, wanted, sizeof sets);
        Py_BEGIN_ALLOW_THREADS
        errno = 0;
        result = select(max + 1, counts[0] ? &sets[0] : NULL, counts[1] ? &sets[1] : NULL, counts[2] ? &sets[2] : NULL, timeout >= 0 ? &tv : NULL);
        Py_END_ALLOW_THREADS
        if (result >= 0 || errno != EINTR) break;
        if (PyErr_CheckSignals() < 0) goto done;
        if (timeout >= 0 && (timeout = deadline - now_ns()) < 0) {
            result = 0;
            break;
        }
    }
    if (result < 0) {
        os_error();
        goto done;
    }
    if (result == 0) for (int i = 0; i < 3; i++) FD_ZERO(&sets[i]);
    for (int i = 0; i < 3; i++) if (!(lists[i] = ready_list(&sets[i], watched[i], counts[i]))) goto done;
    o = PyTuple_Pack(3, lists[0], lists[1], lists[2]);
done:
    for (int i = 0; i < 3; i++) {
        Py_XDECREF(lists[i]);
        for (Py_ssize_t k = 0; k < counts[i]; k++) Py_DECREF(watched[i][k].object);
    }
    PyMem_Free(all);
    return o;
}

/* ---- poll --------------------------------------------------------------------------------------------------------------------- */

typedef struct Poll {
    PyObject_HEAD
    PyObject *events;                         /* dict: descriptor to mask */
    struct pollfd *fds;
    nfds_t count;
    bool current, running;                    /* fds stands for the dict; poll() is in progress */
} Poll;

#define POLL(o) ((Poll *)(o))

static int event_mask(PyObject *value, unsigned short otherwise, unsigned short *mask)
{
    *mask = otherwise;
    if (!value) return 0;
    long n = PyLong_AsLong(value);
    if (n == -1 && PyErr_Occurred()) return -1;
    if (n < 0) PyErr_SetString(PyExc_ValueError, "value must be positive");
    else if (n > USHRT_MAX) PyErr_SetString(PyExc_OverflowError, "Python int too large for C unsigned short");
    else {
        *mask = (unsigned short)n;
        return 0;
    }
    return -1;
}

static int poll_set(Poll *self, int fd, unsigned short mask)
{
    PyObject *key = PyLong_FromLong(fd), *value = PyLong_FromLong(mask);
    int status = key && value ? PyDict_SetItem(self->events, key, value) : -1;
    Py_XDECREF(key);
    Py_XDECREF(value);
    self->current = false;
    return status;
}

BUILTIN(poll, register, POSITIONAL, "($self, fd, eventmask=select.POLLIN | select.POLLPRI | select.POLLOUT, /)",
        "Register a file descriptor with the polling object.")
{
    int fd = PyObject_AsFileDescriptor(arg[0]);
    unsigned short mask;
    if (fd < 0 || event_mask(arg[1], POLLIN | POLLPRI | POLLOUT, &mask) < 0 || poll_set(POLL(self), fd, mask) < 0) return NULL;
    Py_RETURN_NONE;
}

BUILTIN(poll, modify, POSITIONAL, "($self, fd, eventmask, /)", "Modify an already registered file descriptor.")
{
    int fd = PyObject_AsFileDescriptor(arg[0]);
    unsigned short mask;
    if (fd < 0 || event_mask(arg[1], 0, &mask) < 0) return NULL;
    PyObject *key = PyLong_FromLong(fd);
    int found = key ? PyDict_Contains(POLL(self)->events, key) : -1;
    Py_XDECREF(key);
    if (found < 0) return NULL;
    if (!found) {
        errno = ENOENT;
        return os_error();
    }
    if (poll_set(POLL(self), fd, mask) < 0) return NULL;
    Py_RETURN_NONE;
}

BUILTIN_O(poll, unregister, "($self, fd, /)", "Remove a file descriptor being tracked by the polling object.")
{
    int fd = PyObject_AsFileDescriptor(arg);
    PyObject *key = fd < 0 ? NULL : PyLong_FromLong(fd);
    int status = key ? PyDict_DelItem(POLL(self)->events, key) : -1;
    Py_XDECREF(key);
    if (status < 0) return NULL;
    POLL(self)->current = false;
    Py_RETURN_NONE;
}

static int poll_refresh(Poll *self)
{
    Py_ssize_t n = PyDict_GET_SIZE(self->events), at = 0, i = 0;
    PyObject *key, *value;
    struct pollfd *fds = PyMem_Realloc(self->fds, sizeof *fds * (size_t)(n + 1));
    if (!fds) {
        PyErr_NoMemory();
        return -1;
    }
    self->fds = fds;
    while (PyDict_Next(self->events, &at, &key, &value))
        fds[i++] = (struct pollfd){ (int)PyLong_AsLong(key), (short)PyLong_AsLong(value), 0 };
    self->count = (nfds_t)n;
    self->current = true;
    return 0;
}

BUILTIN(poll, poll, POSITIONAL, "($self, timeout=None, /)",
        "Polls the set of registered file descriptors; returns a list of (fd, event) 2-tuples. timeout is in milliseconds.")
{
    Poll *poll_object = POLL(self);
    int64_t timeout, deadline = 0;
    int result;
    if (timeout_get(arg[0], 1e6, "timeout must be an integer or None", &timeout) < 0) return NULL;
    if (timeout > (int64_t)INT_MAX * 1000000) return PyErr_Format(PyExc_OverflowError, "timeout is too large");
    if (poll_object->running) {
        PyErr_SetString(PyExc_RuntimeError, "concurrent poll() invocation");
        return NULL;
    }
    if (!poll_object->current && poll_refresh(poll_object) < 0) return NULL;
    poll_object->running = true;
    if (timeout >= 0) deadline = now_ns() + timeout;
    for (;;) {
        int ms = timeout < 0 ? -1 : (int)((timeout + 999999) / 1000000);
        Py_BEGIN_ALLOW_THREADS
        errno = 0;
        result = poll(poll_object->fds, poll_object->count, ms);
        Py_END_ALLOW_THREADS
        if (result >= 0 || errno != EINTR) break;
        if (PyErr_CheckSignals() < 0) {
            poll_object->running = false;
            return NULL;
        }
        if (timeout >= 0 && (timeout = deadline - now_ns()) < 0) {
            result = 0;
            break;
        }
    }
    poll_object->running = false;
    if (result < 0) return os_error();
    PyObject *list = PyList_New(0);
    for (nfds_t i = 0; list && result > 0 && i < poll_object->count; i++) {
        if (!poll_object->fds[i].revents) continue;
        PyObject *pair = Py_BuildValue("(ii)", poll_object->fds[i].fd, (int)(unsigned short)poll_object->fds[i].revents);
        if (!pair || PyList_Append(list, pair) < 0) Py_CLEAR(list);
        Py_XDECREF(pair);
    }
    return list;
}

static void poll_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyMem_Free(POLL(self)->fds);
    Py_XDECREF(POLL(self)->events);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMethodDef poll_methods[] = { METHOD(poll, register), METHOD(poll, modify), METHOD(poll, unregister), METHOD(poll, poll), { 0 } };
static PyType_Slot poll_slots[] = { { Py_tp_dealloc, poll_dealloc }, { Py_tp_methods, poll_methods }, { 0, NULL } };
static PyType_Spec poll_spec = { "select.poll", sizeof(Poll), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, poll_slots };

BUILTIN_NOARGS(select_module, poll, "($module, /)", "Returns a polling object, which supports registering and unregistering file descriptors.")
{
    Poll *o = PyObject_New(Poll, ((SelectState *)PyModule_GetState(self))->poll);
    if (!o) return NULL;
    o->fds = NULL;
    o->count = 0;
    o->current = o->running = false;
    if (!(o->events = PyDict_New())) Py_CLEAR(o);
    return (PyObject *)o;
}

/* ---- epoll -------------------------------------------------------------------------------------------------------------------- */

typedef struct Epoll { PyObject_HEAD int fd; } Epoll;

#define EPOLL(o) ((Epoll *)(o))
#define CHECK_OPEN(o) do { if (EPOLL(o)->fd < 0) { PyErr_SetString(PyExc_ValueError, "I/O operation on closed epoll object"); return NULL; } } while (0)

static PyObject *epoll_make(PyTypeObject *type, int fd)
{
    Epoll *self = (Epoll *)type->tp_alloc(type, 0);
    if (!self) return NULL;
    self->fd = fd;
    if (fd < 0) {
        Py_BEGIN_ALLOW_THREADS
        self->fd = epoll_create1(EPOLL_CLOEXEC);
        Py_END_ALLOW_THREADS
    }
    if (self->fd < 0) {
        os_error();
        Py_CLEAR(self);
    }
    return (PyObject *)self;
}

SIGNATURE(epoll_signature, "epoll", KEYWORDS, "(sizehint=-1, flags=0)");

static PyObject *epoll_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *arg[2];
    int size = -1, flags = 0;
    if (args_bind_tuple(&epoll_signature, args, kwargs, arg) < 0) return NULL;
    if (arg[0] && (size = PyLong_AsInt(arg[0])) == -1 && PyErr_Occurred()) return NULL;
    if (arg[1] && (flags = PyLong_AsInt(arg[1])) == -1 && PyErr_Occurred()) return NULL;
    if (size != -1 && size <= 0) return PyErr_Format(PyExc_ValueError, "sizehint must be positive or -1");
    if (flags && flags != EPOLL_CLOEXEC) return PyErr_Format(PyExc_OSError, "invalid flags");
    return epoll_make(type, -1);
}

static int epoll_shut(Epoll *self)
{
    int fd = self->fd, result = 0;
    self->fd = -1;
    if (fd < 0) return 0;
    Py_BEGIN_ALLOW_THREADS
    result = close(fd);
    Py_END_ALLOW_THREADS
    return result;
}

static void epoll_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    (void)epoll_shut(EPOLL(self));
    type->tp_free(self);
    Py_DECREF(type);
}

BUILTIN_NOARGS(epoll, close, "($self, /)", "Close the epoll control file descriptor.")
{
    if (epoll_shut(EPOLL(self)) < 0) return os_error();
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(epoll, fileno, "($self, /)", "Return the epoll control file descriptor.")
{
    CHECK_OPEN(self);
    return PyLong_FromLong(EPOLL(self)->fd);
}

BUILTIN_O(epoll, fromfd, "($type, fd, /)", "Create an epoll object from a given control fd.")
{
    int fd = PyLong_AsInt(arg);
    return fd == -1 && PyErr_Occurred() ? NULL : epoll_make((PyTypeObject *)self, fd);
}

static PyObject *control(PyObject *self, int operation, PyObject *file, PyObject *mask)
{
    int fd = PyObject_AsFileDescriptor(file), result;
    struct epoll_event event = { .events = EPOLLIN | EPOLLPRI | EPOLLOUT };
    if (fd < 0) return NULL;
    if (mask) {
        unsigned long events = PyLong_AsUnsignedLong(mask);
        if (events == (unsigned long)-1 && PyErr_Occurred()) return NULL;
        if (events > UINT_MAX) return PyErr_Format(PyExc_OverflowError, "Python int too large for C unsigned int");
        event.events = (uint32_t)events;
    }
    CHECK_OPEN(self);
    event.data.fd = fd;
    Py_BEGIN_ALLOW_THREADS
    result = epoll_ctl(EPOLL(self)->fd, operation, fd, &event);
    Py_END_ALLOW_THREADS
    if (result < 0) return os_error();
    Py_RETURN_NONE;
}

BUILTIN(epoll, register, KEYWORDS, "($self, /, fd, eventmask=EPOLLIN | EPOLLPRI | EPOLLOUT)", "Registers a new fd; raises OSError if it is already registered.")
{
    return control(self, EPOLL_CTL_ADD, arg[0], arg[1]);
}

BUILTIN(epoll, modify, KEYWORDS, "($self, /, fd, eventmask)", "Modify event mask for a registered file descriptor.")
{
    return control(self, EPOLL_CTL_MOD, arg[0], arg[1]);
}

BUILTIN(epoll, unregister, KEYWORDS, "($self, /, fd)", "Remove a registered file descriptor from the epoll object.")
{
    return control(self, EPOLL_CTL_DEL, arg[0], NULL);
}

BUILTIN(epoll, poll, KEYWORDS, "($self, /, timeout=None, maxevents=-1)",
        "Wait for events on the epoll file descriptor; returns a list of (fd, events) 2-tuples. timeout is in seconds.")
{
    int64_t timeout, deadline = 0;
    int max = -1, n;
    CHECK_OPEN(self);
    if (timeout_get(arg[0], 1e9, "timeout must be an integer or None", &timeout) < 0) return NULL;
    if (arg[1] && (max = PyLong_AsInt(arg[1])) == -1 && PyErr_Occurred()) return NULL;
    if (timeout >= 0 && timeout / 1000000 > INT_MAX) return PyErr_Format(PyExc_OverflowError, "timeout is too large");
    if (max == -1) max = FD_SETSIZE - 1;
    else if (max < 1) return PyErr_Format(PyExc_ValueError, "maxevents must be greater than 0, got %d", max);
    struct epoll_event *events = PyMem_New(struct epoll_event, (size_t)max);
    if (!events) return PyErr_NoMemory();
    if (timeout >= 0) deadline = now_ns() + timeout;
    for (;;) {
        int ms = timeout < 0 ? -1 : (int)((timeout + 999999) / 1000000);
        Py_BEGIN_ALLOW_THREADS
        errno = 0;
        n = epoll_wait(EPOLL(self)->fd, events, max, ms);
        Py_END_ALLOW_THREADS
        if (n >= 0 || errno != EINTR) break;
        if (PyErr_CheckSignals() < 0) {
            PyMem_Free(events);
            return NULL;
        }
        if (timeout >= 0 && (timeout = deadline - now_ns()) < 0) {
            n = 0;
            break;
        }
    }
    PyObject *list = n < 0 ? os_error() : PyList_New(n);
    for (int i = 0; list && i < n; i++) {
        PyObject *pair = Py_BuildValue("(iI)", events[i].data.fd, events[i].events);
        if (!pair) Py_CLEAR(list);
        else PyList_SET_ITEM(list, i, pair);
    }
    PyMem_Free(events);
    return list;
}

BUILTIN_NOARGS(epoll, __enter__, "($self, /)", "")
{
    CHECK_OPEN(self);
    return Py_NewRef(self);
}

BUILTIN(epoll, __exit__, POSITIONAL, "($self, exc_type=None, exc_value=None, exc_tb=None, /)", "") { return epoll_close(self, NULL); }

static PyObject *epoll_closed(PyObject *self, void *closure) { return PyBool_FromLong(EPOLL(self)->fd < 0); }

static PyMethodDef epoll_methods[] = {
    METHOD_CLASS(epoll, fromfd), METHOD(epoll, close), METHOD(epoll, fileno), METHOD(epoll, modify), METHOD(epoll, register),
    METHOD(epoll, unregister), METHOD(epoll, poll), METHOD(epoll, __enter__), METHOD(epoll, __exit__), { 0 }
};
static PyGetSetDef epoll_getset[] = { { "closed", epoll_closed, NULL, "True if the epoll handler is closed", NULL }, { 0 } };
static PyType_Slot epoll_slots[] = {
    { Py_tp_doc, "epoll(sizehint=-1, flags=0)\n--\n\nReturns an epolling object." },
    { Py_tp_new, epoll_new }, { Py_tp_dealloc, epoll_dealloc }, { Py_tp_methods, epoll_methods }, { Py_tp_getset, epoll_getset },
    { Py_tp_getattro, PyObject_GenericGetAttr }, { 0, NULL }
};
static PyType_Spec epoll_spec = { "select.epoll", sizeof(Epoll), 0, Py_TPFLAGS_DEFAULT, epoll_slots };

/* ---- the module --------------------------------------------------------------------------------------------------------------- */

static PyMethodDef select_methods[] = { METHOD(select_module, select), METHOD(select_module, poll), { 0 } };

static const struct { const char *name; long value; } constants[] = {
    { "EPOLLERR", EPOLLERR }, { "EPOLLET", (long)EPOLLET }, { "EPOLLEXCLUSIVE", EPOLLEXCLUSIVE }, { "EPOLLHUP", EPOLLHUP },
    { "EPOLLIN", EPOLLIN }, { "EPOLLMSG", EPOLLMSG }, { "EPOLLONESHOT", (long)EPOLLONESHOT }, { "EPOLLOUT", EPOLLOUT },
    { "EPOLLPRI", EPOLLPRI }, { "EPOLLRDBAND", EPOLLRDBAND }, { "EPOLLRDHUP", EPOLLRDHUP }, { "EPOLLRDNORM", EPOLLRDNORM },
    { "EPOLLWRBAND", EPOLLWRBAND }, { "EPOLLWRNORM", EPOLLWRNORM }, { "EPOLL_CLOEXEC", EPOLL_CLOEXEC },
    { "PIPE_BUF", PIPE_BUF }, { "POLLERR", POLLERR }, { "POLLHUP", POLLHUP }, { "POLLIN", POLLIN }, { "POLLMSG", POLLMSG },
    { "POLLNVAL", POLLNVAL }, { "POLLOUT", POLLOUT }, { "POLLPRI", POLLPRI }, { "POLLRDBAND", POLLRDBAND },
    { "POLLRDHUP", POLLRDHUP }, { "POLLRDNORM", POLLRDNORM }, { "POLLWRBAND", POLLWRBAND }, { "POLLWRNORM", POLLWRNORM },
};

static int select_exec(PyObject *module)
{
    SelectState *state = PyModule_GetState(module);
    if (PyModule_AddObjectRef(module, "error", PyExc_OSError) < 0) return -1;
    if (!(state->poll = (PyTypeObject *)PyType_FromModuleAndSpec(module, &poll_spec, NULL))) return -1;
    if (!(state->epoll = (PyTypeObject *)PyType_FromModuleAndSpec(module, &epoll_spec, NULL))) return -1;
    if (PyModule_AddType(module, state->epoll) < 0) return -1;
    for (size_t i = 0; i < ARRAY_LENGTH(constants); i++)
        if (PyModule_AddIntConstant(module, constants[i].name, constants[i].value) < 0) return -1;
    return 0;
}

static int select_traverse(PyObject *module, visitproc visit, void *arg)
{
    SelectState *state = PyModule_GetState(module);
    Py_VISIT(state->poll);
    Py_VISIT(state->epoll);
    return 0;
}

static int select_clear(PyObject *module)
{
    SelectState *state = PyModule_GetState(module);
    Py_CLEAR(state->poll);
    Py_CLEAR(state->epoll);
    return 0;
}

static void select_free(void *module) { select_clear(module); }

static PyModuleDef_Slot select_slots[] = {
    { Py_mod_exec, select_exec }, { Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED }, { 0 }
};
static struct PyModuleDef select_definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "select",
    .m_doc = "Waiting for I/O completion on files: select, poll and epoll.",
    .m_size = sizeof(SelectState),
    .m_methods = select_methods,
    .m_slots = select_slots,
    .m_traverse = select_traverse,
    .m_clear = select_clear,
    .m_free = select_free,
};
PyMODINIT_FUNC PyInit_select(void) { return PyModuleDef_Init(&select_definition); }
