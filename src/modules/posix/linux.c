/* posix: what only Linux has: eventfd, timerfd, memfd, pidfd, namespaces. And the input hook of the prompt. */
#include "posix_private.h"

#include <math.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>

BUILTIN(posix, eventfd, KEYWORDS, "($module, /, initval, flags=EFD_CLOEXEC)", "Creates and returns an event notification file descriptor.")
{
    int flags = EFD_CLOEXEC, fd;
    unsigned long value = PyLong_AsUnsignedLong(arg[0]);
    if (value == (unsigned long)-1 && PyErr_Occurred()) return NULL;
    if (value > UINT_MAX) return PyErr_Format(PyExc_OverflowError, "Python int too large to convert to C unsigned int");
    if (arg[1] && int_get(arg[1], &flags) < 0) return NULL;
    UNLOCKED(fd, eventfd((unsigned)value, flags));
    return fd < 0 ? posix_error() : PyLong_FromLong(fd);
}

BUILTIN(posix, eventfd_read, KEYWORDS, "($module, /, fd)", "Read eventfd value.")
{
    int result, fd = PyObject_AsFileDescriptor(arg[0]);
    eventfd_t value;
    if (fd < 0) return NULL;
    UNLOCKED(result, eventfd_read(fd, &value));
    return result < 0 ? posix_error() : PyLong_FromUnsignedLongLong(value);
}

BUILTIN(posix, eventfd_write, KEYWORDS, "($module, /, fd, value)", "Write eventfd value.")
{
    int result, fd = PyObject_AsFileDescriptor(arg[0]);
    if (fd < 0) return NULL;
    unsigned long long value = PyLong_AsUnsignedLongLong(arg[1]);
    if (value == (unsigned long long)-1 && PyErr_Occurred()) return NULL;
    UNLOCKED(result, eventfd_write(fd, value));
    RETURN_NONE_OR_ERROR(result);
}

BUILTIN(posix, timerfd_create, KEYWORDS, "($module, clockid, /, *, flags=0)", "Create and return a timer file descriptor.")
{
    int clock, flags = 0, fd;
    if (int_get(arg[0], &clock) < 0 || (arg[1] && int_get(arg[1], &flags) < 0)) return NULL;
    UNLOCKED(fd, timerfd_create(clock, flags | TFD_CLOEXEC));
    return fd < 0 ? posix_error() : PyLong_FromLong(fd);
}

static double to_seconds(const struct timespec *ts) { return (double)ts->tv_sec + 1e-9 * (double)ts->tv_nsec; }
static long long to_ns(const struct timespec *ts) { return ts->tv_sec * 1000000000LL + ts->tv_nsec; }

static PyObject *timer_result(int result, const struct itimerspec *timer, bool ns)
{
    if (result < 0) return posix_error();
    if (ns) return Py_BuildValue("(LL)", to_ns(&timer->it_value), to_ns(&timer->it_interval));
    return Py_BuildValue("(dd)", to_seconds(&timer->it_value), to_seconds(&timer->it_interval));
}

static int seconds_argument(PyObject *value, struct timespec *ts)
{
    *ts = (struct timespec){ 0 };
    if (!value) return 0;
    double seconds = PyFloat_AsDouble(value);
    if (seconds == -1.0 && PyErr_Occurred()) return -1;
    double whole = floor(seconds);
    if (!(whole >= -9.2e18 && whole <= 9.2e18)) {
        PyErr_SetString(PyExc_OverflowError, "timestamp out of range for platform time_t");
        return -1;
    }
    ts->tv_sec = (time_t)whole;
    ts->tv_nsec = (long)((seconds - whole) * 1e9);
    return 0;
}

static int ns_argument(PyObject *value, struct timespec *ts)
{
    *ts = (struct timespec){ 0 };
    if (!value) return 0;
    long long ns = PyLong_AsLongLong(value);
    if (ns == -1 && PyErr_Occurred()) return -1;
    ts->tv_sec = ns / 1000000000;
    ts->tv_nsec = ns % 1000000000;
    return 0;
}

BUILTIN(posix, timerfd_settime, KEYWORDS, "($module, fd, /, *, flags=0, initial=0.0, interval=0.0)", "Alter a timer file descriptor's internal timer in seconds.")
{
    int flags = 0, result, fd = PyObject_AsFileDescriptor(arg[0]);
    struct itimerspec new, old;
    if (fd < 0 || (arg[1] && int_get(arg[1], &flags) < 0)) return NULL;
    if (seconds_argument(arg[2], &new.it_value) < 0 || seconds_argument(arg[3], &new.it_interval) < 0) return NULL;
    UNLOCKED(result, timerfd_settime(fd, flags, &new, &old));
    return timer_result(result, &old, false);
}

BUILTIN(posix, timerfd_settime_ns, KEYWORDS, "($module, fd, /, *, flags=0, initial=0, interval=0)",
        "Alter a timer file descriptor's internal timer in nanoseconds.")
{
    int flags = 0, result, fd = PyObject_AsFileDescriptor(arg[0]);
    struct itimerspec new, old;
    if (fd < 0 || (arg[1] && int_get(arg[1], &flags) < 0)) return NULL;
    if (ns_argument(arg[2], &new.it_value) < 0 || ns_argument(arg[3], &new.it_interval) < 0) return NULL;
    UNLOCKED(result, timerfd_settime(fd, flags, &new, &old));
    return timer_result(result, &old, true);
}

static PyObject *timer_get(PyObject *value, bool ns)
{
    int result, fd = PyObject_AsFileDescriptor(value);
    struct itimerspec timer;
    if (fd < 0) return NULL;
    UNLOCKED(result, timerfd_gettime(fd, &timer));
    return timer_result(result, &timer, ns);
}

BUILTIN_O(posix, timerfd_gettime, "($module, fd, /)", "Return a tuple of a timer's time to expiration and interval in seconds.") { return timer_get(arg, false); }
BUILTIN_O(posix, timerfd_gettime_ns, "($module, fd, /)", "Return a tuple of a timer's time to expiration and interval in nanoseconds.")
{
    return timer_get(arg, true);
}

BUILTIN(posix, memfd_create, KEYWORDS, "($module, /, name, flags=MFD_CLOEXEC)", "Create an anonymous file in memory; returns its descriptor.")
{
    PyObject *name = NULL;
    unsigned flags = MFD_CLOEXEC;
    int fd;
    if (arg[1]) {
        flags = (unsigned)PyLong_AsUnsignedLongMask(arg[1]);
        if (PyErr_Occurred()) return NULL;
    }
    if (!PyUnicode_FSConverter(arg[0], &name)) return NULL;
    UNLOCKED(fd, memfd_create(PyBytes_AS_STRING(name), flags));
    Py_DECREF(name);
    return fd < 0 ? posix_error() : PyLong_FromLong(fd);
}

BUILTIN(posix, pidfd_open, KEYWORDS, "($module, /, pid, flags=0)", "Return a file descriptor referring to the process pid.")
{
    int pid;
    unsigned flags = 0;
    if (int_get(arg[0], &pid) < 0) return NULL;
    if (arg[1]) {
        flags = (unsigned)PyLong_AsUnsignedLongMask(arg[1]);
        if (PyErr_Occurred()) return NULL;
    }
    int fd = (int)syscall(SYS_pidfd_open, pid, flags);
    return fd < 0 ? posix_error() : PyLong_FromLong(fd);
}

BUILTIN(posix, setns, KEYWORDS, "($module, /, fd, nstype=0)", "Move the calling thread into different namespaces.")
{
    int type = 0, result, fd = PyObject_AsFileDescriptor(arg[0]);
    if (fd < 0 || (arg[1] && int_get(arg[1], &type) < 0)) return NULL;
    UNLOCKED(result, setns(fd, type));
    RETURN_NONE_OR_ERROR(result);
}

BUILTIN(posix, unshare, KEYWORDS, "($module, /, flags)", "Disassociate parts of a process (or thread) execution context.")
{
    int flags, result;
    if (int_get(arg[0], &flags) < 0) return NULL;
    UNLOCKED(result, unshare(flags));
    RETURN_NONE_OR_ERROR(result);
}

BUILTIN_NOARGS(posix, _inputhook, "($module, /)", "Calls PyOS_InputHook , letting go of the GIL first.")
{
    int result = -1;
    if (PyOS_InputHook) UNLOCKED(result, PyOS_InputHook());
    return PyLong_FromLong(result);
}

BUILTIN_NOARGS(posix, _is_inputhook_installed, "($module, /)", "Checks if PyOS_InputHook is set.") { return PyBool_FromLong(PyOS_InputHook != NULL); }

PyMethodDef posix_linux_methods[] = {
    METHOD(posix, eventfd), METHOD(posix, eventfd_read), METHOD(posix, eventfd_write), METHOD(posix, timerfd_create),
    METHOD(posix, timerfd_settime), METHOD(posix, timerfd_settime_ns), METHOD(posix, timerfd_gettime), METHOD(posix, timerfd_gettime_ns),
    METHOD(posix, memfd_create), METHOD(posix, pidfd_open), METHOD(posix, setns), METHOD(posix, unshare), METHOD(posix, _inputhook),
    METHOD(posix, _is_inputhook_installed),
    { 0 }
};
