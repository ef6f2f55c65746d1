/* _signal, and the runtime's side of signals: a C handler notes the signal and wakes the main thread, which runs the
 * Python handler between two instructions (signals_run). */
#include "runtime/state.h"
#include "runtime/runtime_private.h"
#include "runtime/pytime.h"
#include "capi/args.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#define P (&_PyRuntime.runtime)

enum { SIGNALS = PROCESS_SIGNALS };

static bool can_handle_signals(void)
{
    return PyThread_get_thread_ident() == P->main_thread && thread_current &&
           thread_current->ts.interp == P->main_interpreter;
}

/* ---- tripping --------------------------------------------------------------------------------------------------- */

static int report_wakeup_error(void *argument)
{
    PyObject *saved = PyErr_GetRaisedException();
    errno = (int)(intptr_t)argument;
    PyErr_SetFromErrno(PyExc_OSError);
    PyErr_FormatUnraisable("Exception ignored when trying to write to the signal wakeup fd");
    PyErr_SetRaisedException(saved);
    return 0;
}

/* Async-signal-safe but for Py_AddPendingCall's mutex, which is only taken when the wake-up write failed. */
static void signals_trip(int number)
{
    __atomic_store_n(&P->signals[number].tripped, 1, __ATOMIC_RELAXED);
    __atomic_store_n(&P->signal_tripped, 1, __ATOMIC_SEQ_CST);
    if (P->main_thread_state) eval_breaker_set(P->main_thread_state, EVAL_SIGNALS_PENDING);
    int fd = P->wakeup.fd;
    if (fd < 0) return;
    unsigned char byte = (unsigned char)number;
    ssize_t n;
    do n = write(fd, &byte, 1); while (n < 0 && errno == EINTR);
    if (n < 0 && (P->wakeup.warn_on_full || (errno != EWOULDBLOCK && errno != EAGAIN)))
        Py_AddPendingCall(report_wakeup_error, (void *)(intptr_t)errno);
}

static void signal_handler(int number)
{
    int saved = errno;
    signals_trip(number);
    errno = saved;
}

PyOS_sighandler_t PyOS_getsig(int number)
{
    struct sigaction action;
    return sigaction(number, NULL, &action) < 0 ? SIG_ERR : action.sa_handler;
}

PyOS_sighandler_t PyOS_setsig(int number, PyOS_sighandler_t handler)
{
    struct sigaction action = { 0 }, old;
    action.sa_handler = handler;
    sigemptyset(&action.sa_mask);
    action.sa_flags = number == SIGSEGV ? SA_ONSTACK : 0;      /* not restarting: PEP 475 is ours to do */
    if (handler == signal_handler) action.sa_flags |= SA_ONSTACK;
    return sigaction(number, &action, &old) < 0 ? SIG_ERR : old.sa_handler;
}

static bool is_special(PyObject *handler, PyObject *special)
{
    if (handler == special) return true;
    if (!handler || !special || !PyLong_CheckExact(handler)) return false;
    return PyObject_RichCompareBool(handler, special, Py_EQ) == 1;
}

int signals_run(PyThreadState *ts)
{
    eval_breaker_clear(ts, EVAL_SIGNALS_PENDING);
    if (!can_handle_signals()) return 0;
    if (!__atomic_exchange_n(&P->signal_tripped, 0, __ATOMIC_SEQ_CST)) return 0;
    PyObject *frame = (PyObject *)PyThreadState_GetFrame(ts);
    if (!frame) frame = Py_NewRef(Py_None);
    for (int i = 1; i < SIGNALS; i++) {
        if (!__atomic_exchange_n(&P->signals[i].tripped, 0, __ATOMIC_RELAXED)) continue;
        PyObject *handler = P->signals[i].handler;
        if (!handler || handler == Py_None || is_special(handler, P->ignore_handler) || is_special(handler, P->default_handler)) {
            PyErr_Format(PyExc_OSError, "Signal %i ignored due to race condition", i);
            PyErr_WriteUnraisable(Py_None);
            continue;
        }
        Py_INCREF(handler);
        PyObject *number = PyLong_FromLong(i), *stack[2] = { number, frame };
        PyObject *result = number ? PyObject_Vectorcall(handler, stack, 2, NULL) : NULL;
        Py_XDECREF(number);
        Py_DECREF(handler);
        if (!result) {
            __atomic_store_n(&P->signal_tripped, 1, __ATOMIC_SEQ_CST);       /* others may be waiting */
            eval_breaker_set(ts, EVAL_SIGNALS_PENDING);
            Py_DECREF(frame);
            return -1;
        }
        Py_DECREF(result);
    }
    Py_DECREF(frame);
    return 0;
}

int PyErr_CheckSignals(void)
{
    PyThreadState *ts = PyThreadState_Get();
    if (UNLIKELY(ts->eval_breaker & EVAL_GC_SCHEDULED)) {
        eval_breaker_clear(ts, EVAL_GC_SCHEDULED);
        gc_run_scheduled(ts);
    }
    if (!P->signal_tripped) return 0;
    return signals_run(ts);
}

int PyErr_SetInterruptEx(int number)
{
    if (number < 1 || number >= SIGNALS) return -1;
    PyObject *handler = P->signals[number].handler;
    if (handler && (is_special(handler, P->ignore_handler) || is_special(handler, P->default_handler))) return 0;
    signals_trip(number);
    return 0;
}

void PyErr_SetInterrupt(void) { PyErr_SetInterruptEx(SIGINT); }

int PyOS_InterruptOccurred(void)
{
    if (!thread_current || !can_handle_signals()) return 0;
    return __atomic_exchange_n(&P->signals[SIGINT].tripped, 0, __ATOMIC_RELAXED) ? 1 : 0;
}

static int check_wakeup_fd(int fd)
{
    struct stat status;
    if (fstat(fd, &status) < 0) {
        PyErr_SetFromErrno(PyExc_OSError);
        return -1;
    }
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0) {
        PyErr_SetFromErrno(PyExc_OSError);
        return -1;
    }
    if (!(flags & O_NONBLOCK)) {
        PyErr_Format(PyExc_ValueError, "the fd %i must be in non-blocking mode", fd);
        return -1;
    }
    return 0;
}

int PySignal_SetWakeupFd(int fd)
{
    int old = P->wakeup.fd;
    P->wakeup.fd = fd < 0 ? -1 : fd;
    P->wakeup.warn_on_full = true;
    return old;
}

/* ---- functions -------------------------------------------------------------------------------------------------- */

static int int_argument(PyObject *o, int *value)
{
    *value = PyLong_AsInt(o);
    return *value == -1 && PyErr_Occurred() ? -1 : 0;
}

static int signal_argument(PyObject *o, int *number)
{
    if (int_argument(o, number) < 0) return -1;
    if (*number >= 1 && *number < SIGNALS) return 0;
    PyErr_SetString(PyExc_ValueError, "signal number out of range");
    return -1;
}

BUILTIN_FAST(signal, default_int_handler, "($module, signalnum, frame, /)",
             "The default handler for SIGINT installed by Python.\n\nIt raises KeyboardInterrupt.")
{
    int number;
    if (nargs != 2) {
        PyErr_Format(PyExc_TypeError, "default_int_handler expected 2 arguments, got %zd", nargs);
        return NULL;
    }
    if (int_argument(args[0], &number) < 0) return NULL;
    PyErr_SetNone(PyExc_KeyboardInterrupt);
    return NULL;
}

BUILTIN_O(signal, alarm, "($module, seconds, /)", "Arrange for SIGALRM to arrive after the given number of seconds.")
{
    int seconds;
    if (int_argument(arg, &seconds) < 0) return NULL;
    return PyLong_FromLong((long)alarm((unsigned)seconds));
}

BUILTIN_NOARGS(signal, pause, "($module, /)", "Wait until a signal arrives.")
{
    Py_BEGIN_ALLOW_THREADS
    pause();
    Py_END_ALLOW_THREADS
    if (PyErr_CheckSignals()) return NULL;
    Py_RETURN_NONE;
}

BUILTIN_O(signal, raise_signal, "($module, signalnum, /)", "Send a signal to the executing process.")
{
    int number, failed;
    if (int_argument(arg, &number) < 0) return NULL;
    Py_BEGIN_ALLOW_THREADS
    failed = raise(number);
    Py_END_ALLOW_THREADS
    if (failed) return PyErr_SetFromErrno(PyExc_OSError);
    if (PyErr_CheckSignals()) return NULL;
    Py_RETURN_NONE;
}

static int interrupted_or_not(void) { return PyErr_CheckSignals() ? -1 : 0; }

BUILTIN(signal, signal, POSITIONAL, "($module, signalnum, handler, /)",
        "Set the action for the given signal.\n\n"
        "The action can be SIG_DFL, SIG_IGN, or a callable Python object.\n"
        "The previous action is returned.  See getsignal() for possible return values.\n\n"
        "*** IMPORTANT NOTICE ***\n"
        "A signal handler function is called with two arguments:\n"
        "the first is the signal number, the second is the interrupted stack frame.")
{
    int number;
    PyObject *handler = arg[1];
    PyOS_sighandler_t function;
    if (int_argument(arg[0], &number) < 0) return NULL;
    if (!can_handle_signals()) {
        PyErr_SetString(PyExc_ValueError, "signal only works in main thread of the main interpreter");
        return NULL;
    }
    if (number < 1 || number >= SIGNALS) {
        PyErr_SetString(PyExc_ValueError, "signal number out of range");
        return NULL;
    }
    if (PyCallable_Check(handler)) function = signal_handler;
    else if (is_special(handler, P->ignore_handler)) function = SIG_IGN;
    else if (is_special(handler, P->default_handler)) function = SIG_DFL;
    else {
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_TypeError, "signal handler must be signal.SIG_IGN, signal.SIG_DFL, or a callable object");
        return NULL;
    }
    if (interrupted_or_not() < 0) return NULL;
    if (PyOS_setsig(number, function) == SIG_ERR) return PyErr_SetFromErrno(PyExc_OSError);
    PyObject *old = P->signals[number].handler;
    P->signals[number].handler = Py_NewRef(handler);
    if (old) return old;
    Py_RETURN_NONE;
}

BUILTIN_O(signal, getsignal, "($module, signalnum, /)",
          "Return the current action for the given signal.\n\n"
          "The return value can be:\n"
          "  SIG_IGN -- if the signal is being ignored\n"
          "  SIG_DFL -- if the default action for the signal is in effect\n"
          "  None    -- if an unknown handler is in effect\n"
          "  anything else -- the callable Python object used as a handler")
{
    int number;
    if (signal_argument(arg, &number) < 0) return NULL;
    PyObject *handler = P->signals[number].handler;
    return Py_NewRef(handler ? handler : Py_None);
}

BUILTIN_O(signal, strsignal, "($module, signalnum, /)",
          "Return the system description of the given signal.\n\n"
          "Returns the description of signal *signalnum*, such as \"Interrupt\"\n"
          "for :const:`SIGINT`. Returns :const:`None` if *signalnum` has no\n"
          "description. Raises :exc:`ValueError` if *signalnum* is invalid.")
{
    int number;
    if (signal_argument(arg, &number) < 0) return NULL;
    errno = 0;
    const char *text = strsignal(number);
    if (errno || !text || strstr(text, "Unknown signal")) Py_RETURN_NONE;
    return PyUnicode_FromString(text);
}

BUILTIN(signal, siginterrupt, POSITIONAL, "($module, signalnum, flag, /)",
        "Change system call restart behaviour.\n\n"
        "If flag is False, system calls will be restarted when interrupted by\n"
        "signal sig, else system calls will be interrupted.")
{
    int number, flag;
    if (int_argument(arg[0], &number) < 0 || int_argument(arg[1], &flag) < 0) return NULL;
    if (number < 1 || number >= SIGNALS) {
        PyErr_SetString(PyExc_ValueError, "signal number out of range");
        return NULL;
    }
    struct sigaction action;
    if (sigaction(number, NULL, &action) < 0) return PyErr_SetFromErrno(PyExc_OSError);
    if (flag) action.sa_flags &= ~SA_RESTART;
    else action.sa_flags |= SA_RESTART;
    if (sigaction(number, &action, NULL) < 0) return PyErr_SetFromErrno(PyExc_OSError);
    Py_RETURN_NONE;
}

BUILTIN(signal, set_wakeup_fd, KEYWORDS, "($module, fd, /, *, warn_on_full_buffer=True)",
        "Sets the fd to be written to (with the signal number) when a signal comes in.\n\n"
        "A library can use this to wakeup select or poll.\n"
        "The previous fd or -1 is returned.\n\n"
        "The fd must be non-blocking.")
{
    int fd, warn = arg[1] ? PyObject_IsTrue(arg[1]) : 1;
    if (warn < 0 || int_argument(arg[0], &fd) < 0) return NULL;
    if (!can_handle_signals()) {
        PyErr_SetString(PyExc_ValueError, "set_wakeup_fd only works in main thread of the main interpreter");
        return NULL;
    }
    if (fd != -1 && check_wakeup_fd(fd) < 0) return NULL;
    int old = P->wakeup.fd;
    P->wakeup.fd = fd;
    P->wakeup.warn_on_full = warn;
    return PyLong_FromLong(old);
}

/* ---- timers ----------------------------------------------------------------------------------------------------- */

static PyObject *itimer_error(PyObject *module)
{
    PyObject *type = PyObject_GetAttrString(module, "ItimerError");
    if (!type) return NULL;
    PyErr_SetFromErrno(type);
    Py_DECREF(type);
    return NULL;
}

static int to_timeval(PyObject *o, struct timeval *tv)
{
    tv->tv_sec = tv->tv_usec = 0;
    if (!o) return 0;
    PyTime_t t;
    if (time_from_seconds_object(&t, o, ROUND_TIME_CEILING) < 0) return -1;
    return time_as_timeval(t, tv, ROUND_TIME_CEILING);
}

static PyObject *itimer_values(const struct itimerval *value)
{
    return Py_BuildValue("(dd)", (double)value->it_value.tv_sec + (double)value->it_value.tv_usec / 1e6,
                         (double)value->it_interval.tv_sec + (double)value->it_interval.tv_usec / 1e6);
}

BUILTIN(signal, setitimer, POSITIONAL, "($module, which, seconds, interval=0.0, /)",
        "Sets given itimer (one of ITIMER_REAL, ITIMER_VIRTUAL or ITIMER_PROF).\n\n"
        "The timer will fire after value seconds and after that every interval seconds.\n"
        "The itimer can be cleared by setting seconds to zero.\n\n"
        "Returns old values as a tuple: (delay, interval).")
{
    int which;
    struct itimerval new, old;
    if (int_argument(arg[0], &which) < 0) return NULL;
    if (to_timeval(arg[1], &new.it_value) < 0 || to_timeval(arg[2], &new.it_interval) < 0) return NULL;
    if (setitimer((__itimer_which_t)which, &new, &old) < 0) return itimer_error(self);
    return itimer_values(&old);
}

BUILTIN_O(signal, getitimer, "($module, which, /)", "Returns current value of given itimer.")
{
    int which;
    struct itimerval value;
    if (int_argument(arg, &which) < 0) return NULL;
    if (getitimer((__itimer_which_t)which, &value) < 0) return itimer_error(self);
    return itimer_values(&value);
}

/* ---- sets of signals -------------------------------------------------------------------------------------------- */

static int to_sigset(PyObject *iterable, sigset_t *mask)
{
    sigemptyset(mask);
    PyObject *it = PyObject_GetIter(iterable), *item;
    if (!it) return -1;
    int status = 0;
    while (!status && (item = PyIter_Next(it))) {
        int overflow;
        long number = PyLong_AsLongAndOverflow(item, &overflow);
        Py_DECREF(item);
        if (number <= 0 || number >= SIGNALS) {
            if (overflow || !PyErr_Occurred())
                PyErr_Format(PyExc_ValueError, "signal number %ld out of range [1; %i]", number, SIGNALS - 1);
            status = -1;
        }
        else if (sigaddset(mask, (int)number)) {
            if (errno != EINVAL) {
                PyErr_SetFromErrno(PyExc_OSError);
                status = -1;
            }
            else if (PyErr_WarnFormat(PyExc_RuntimeWarning, 1,
                                      "invalid signal number %ld, please use valid_signals()", number)) status = -1;
        }
    }
    Py_DECREF(it);
    return status || PyErr_Occurred() ? -1 : 0;
}

static PyObject *from_sigset(const sigset_t *mask)
{
    PyObject *set = PySet_New(NULL);
    for (int i = 1; set && i < SIGNALS; i++) {
        if (sigismember(mask, i) != 1) continue;
        PyObject *number = PyLong_FromLong(i);
        if (!number || PySet_Add(set, number) < 0) Py_CLEAR(set);
        Py_XDECREF(number);
    }
    return set;
}

BUILTIN(signal, pthread_sigmask, POSITIONAL, "($module, how, mask, /)",
        "Fetch and/or change the signal mask of the calling thread.")
{
    int how;
    sigset_t mask, old;
    if (int_argument(arg[0], &how) < 0 || to_sigset(arg[1], &mask) < 0) return NULL;
    int error = pthread_sigmask(how, &mask, &old);
    if (error) {
        errno = error;
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    if (PyErr_CheckSignals()) return NULL;          /* pending ones may have been unblocked */
    return from_sigset(&old);
}

BUILTIN_NOARGS(signal, sigpending, "($module, /)",
               "Examine pending signals.\n\n"
               "Returns a set of signal numbers that are pending for delivery to\n"
               "the calling thread.")
{
    sigset_t mask;
    if (sigpending(&mask)) return PyErr_SetFromErrno(PyExc_OSError);
    return from_sigset(&mask);
}

BUILTIN_O(signal, sigwait, "($module, sigset, /)",
          "Wait for a signal.\n\n"
          "Suspend execution of the calling thread until the delivery of one of the\n"
          "signals specified in the signal set sigset.  The function accepts the signal\n"
          "and returns the signal number.")
{
    sigset_t mask;
    int error, number;
    if (to_sigset(arg, &mask) < 0) return NULL;
    Py_BEGIN_ALLOW_THREADS
    error = sigwait(&mask, &number);
    Py_END_ALLOW_THREADS
    if (error) {
        errno = error;
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    return PyLong_FromLong(number);
}

BUILTIN_NOARGS(signal, valid_signals, "($module, /)",
               "Return a set of valid signal numbers on this platform.\n\n"
               "The signal numbers returned by this function can be safely passed to\n"
               "functions like `pthread_kill`.")
{
    sigset_t mask;
    if (sigemptyset(&mask) || sigfillset(&mask)) return PyErr_SetFromErrno(PyExc_OSError);
    return from_sigset(&mask);
}

static PyObject *make_siginfo(PyObject *module, const siginfo_t *info)
{
    PyObject *type = PyObject_GetAttrString(module, "struct_siginfo");
    if (!type) return NULL;
    PyObject *result = PyStructSequence_New((PyTypeObject *)type);
    Py_DECREF(type);
    if (!result) return NULL;
    PyObject *values[] = { PyLong_FromLong(info->si_signo), PyLong_FromLong(info->si_code), PyLong_FromLong(info->si_errno),
                           PyLong_FromLong(info->si_pid), PyLong_FromUnsignedLong(info->si_uid),
                           PyLong_FromLong(info->si_status), PyLong_FromLong(info->si_band) };
    for (int i = 0; i < 7; i++) PyStructSequence_SetItem(result, i, values[i]);
    if (PyErr_Occurred()) Py_CLEAR(result);
    return result;
}

BUILTIN_O(signal, sigwaitinfo, "($module, sigset, /)",
          "Wait synchronously until one of the signals in *sigset* is delivered.\n\n"
          "Returns a struct_siginfo containing information about the signal.")
{
    sigset_t mask;
    siginfo_t info;
    int error, interrupted = 0;
    if (to_sigset(arg, &mask) < 0) return NULL;
    do {
        Py_BEGIN_ALLOW_THREADS
        error = sigwaitinfo(&mask, &info);
        Py_END_ALLOW_THREADS
    } while (error == -1 && errno == EINTR && !(interrupted = PyErr_CheckSignals()));
    if (error == -1) return interrupted ? NULL : PyErr_SetFromErrno(PyExc_OSError);
    return make_siginfo(self, &info);
}

BUILTIN(signal, sigtimedwait, POSITIONAL, "($module, sigset, timeout, /)",
        "Like sigwaitinfo(), but with a timeout.\n\n"
        "The timeout is specified in seconds, with floating-point numbers allowed.")
{
    sigset_t mask;
    siginfo_t info;
    PyTime_t timeout;
    if (to_sigset(arg[0], &mask) < 0) return NULL;
    if (time_from_seconds_object(&timeout, arg[1], ROUND_TIME_CEILING) < 0) return NULL;
    if (timeout < 0) {
        PyErr_SetString(PyExc_ValueError, "timeout must be non-negative");
        return NULL;
    }
    PyTime_t deadline = time_deadline(timeout);
    for (;;) {
        struct timespec wait;
        int result;
        time_as_timespec(timeout, &wait);
        Py_BEGIN_ALLOW_THREADS
        result = sigtimedwait(&mask, &info, &wait);
        Py_END_ALLOW_THREADS
        if (result != -1) return make_siginfo(self, &info);
        if (errno != EINTR) {
            if (errno == EAGAIN) Py_RETURN_NONE;
            return PyErr_SetFromErrno(PyExc_OSError);
        }
        if (PyErr_CheckSignals()) return NULL;
        if ((timeout = time_left(deadline)) < 0) Py_RETURN_NONE;
    }
}

BUILTIN(signal, pthread_kill, POSITIONAL, "($module, thread_id, signalnum, /)", "Send a signal to a thread.")
{
    int number;
    if (!PyLong_Check(arg[0])) {
        PyErr_Format(PyExc_TypeError, "pthread_kill() argument 1 must be int, not %T", arg[0]);
        return NULL;
    }
    unsigned long thread = PyLong_AsUnsignedLongMask(arg[0]);
    if ((thread == (unsigned long)-1 && PyErr_Occurred()) || int_argument(arg[1], &number) < 0) return NULL;
    if (PySys_Audit("signal.pthread_kill", "ki", thread, number) < 0) return NULL;
    int error = pthread_kill((pthread_t)thread, number);
    if (error) {
        errno = error;
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    if (PyErr_CheckSignals()) return NULL;
    Py_RETURN_NONE;
}

BUILTIN(signal, pidfd_send_signal, POSITIONAL, "($module, pidfd, signalnum, siginfo=None, flags=0, /)",
        "Send a signal to a process referred to by a pid file descriptor.")
{
    int pidfd, number, flags = 0;
    if (int_argument(arg[0], &pidfd) < 0 || int_argument(arg[1], &number) < 0) return NULL;
    if (arg[3] && int_argument(arg[3], &flags) < 0) return NULL;
    if (arg[2] && arg[2] != Py_None) {
        PyErr_SetString(PyExc_TypeError, "siginfo must be None");
        return NULL;
    }
    if (syscall(SYS_pidfd_send_signal, pidfd, number, NULL, flags) < 0) return PyErr_SetFromErrno(PyExc_OSError);
    Py_RETURN_NONE;
}

static PyMethodDef signal_methods[] = {
    METHOD(signal, default_int_handler), METHOD(signal, alarm), METHOD(signal, setitimer), METHOD(signal, getitimer),
    METHOD(signal, signal), METHOD(signal, raise_signal), METHOD(signal, strsignal), METHOD(signal, getsignal),
    METHOD(signal, set_wakeup_fd), METHOD(signal, siginterrupt), METHOD(signal, pause), METHOD(signal, pidfd_send_signal),
    METHOD(signal, pthread_kill), METHOD(signal, pthread_sigmask), METHOD(signal, sigpending), METHOD(signal, sigwait),
    METHOD(signal, sigwaitinfo), METHOD(signal, sigtimedwait), METHOD(signal, valid_signals), {0}
};

/* ---- the module ------------------------------------------------------------------------------------------------- */

static PyStructSequence_Field siginfo_fields[] = {
    {"si_signo", "signal number"}, {"si_code", "signal code"}, {"si_errno", "errno associated with this signal"},
    {"si_pid", "sending process ID"}, {"si_uid", "real user ID of sending process"},
    {"si_status", "exit value or signal"}, {"si_band", "band event for SIGPOLL"}, {0}
};
static PyStructSequence_Desc siginfo_desc = {
    "signal.struct_siginfo",
    "struct_siginfo: Result from sigwaitinfo or sigtimedwait.\n\n"
    "This object may be accessed either as a tuple of\n"
    "(si_signo, si_code, si_errno, si_pid, si_uid, si_status, si_band),\n"
    "or via the attributes si_signo, si_code, and so on.", siginfo_fields, 7
};

/* The handlers as the process was started with them. Once, in the main interpreter. */
static int signals_learn(PyObject *dict)
{
    P->default_handler = PyLong_FromLong((long)(intptr_t)SIG_DFL);
    P->ignore_handler = PyLong_FromLong((long)(intptr_t)SIG_IGN);
    if (!P->default_handler || !P->ignore_handler) return -1;
    for (int i = 1; i < SIGNALS; i++) {
        PyOS_sighandler_t now = PyOS_getsig(i);
        PyObject *handler = now == SIG_DFL ? P->default_handler : now == SIG_IGN ? P->ignore_handler : Py_None;
        Py_XSETREF(P->signals[i].handler, Py_NewRef(handler));
    }
    return 0;
}

static int signal_exec(PyObject *module)
{
    static const struct { const char *name; int value; } constants[] = {
        {"NSIG", SIGNALS}, {"SIG_BLOCK", SIG_BLOCK}, {"SIG_UNBLOCK", SIG_UNBLOCK}, {"SIG_SETMASK", SIG_SETMASK},
#define S(name) {#name, name},
        S(SIGHUP) S(SIGINT) S(SIGQUIT) S(SIGILL) S(SIGTRAP) S(SIGIOT) S(SIGABRT) S(SIGFPE) S(SIGKILL) S(SIGBUS) S(SIGSEGV)
        S(SIGSYS) S(SIGPIPE) S(SIGALRM) S(SIGTERM) S(SIGUSR1) S(SIGUSR2) S(SIGCHLD) S(SIGPWR) S(SIGIO) S(SIGURG) S(SIGWINCH)
        S(SIGSTOP) S(SIGTSTP) S(SIGCONT) S(SIGTTIN) S(SIGTTOU) S(SIGVTALRM) S(SIGPROF) S(SIGXCPU) S(SIGXFSZ) S(SIGPOLL)
        S(SIGSTKFLT) S(ITIMER_REAL) S(ITIMER_VIRTUAL) S(ITIMER_PROF)
#undef S
        {"SIGCLD", SIGCHLD},
    };
    PyObject *dict = PyModule_GetDict(module);
    if (!P->default_handler && signals_learn(dict) < 0) return -1;
    if (PyModule_AddObjectRef(module, "SIG_DFL", P->default_handler) < 0 || PyModule_AddObjectRef(module, "SIG_IGN", P->ignore_handler) < 0)
        return -1;
    for (size_t i = 0; i < sizeof constants / sizeof *constants; i++)
        if (PyModule_AddIntConstant(module, constants[i].name, constants[i].value) < 0) return -1;
    if (PyModule_AddIntConstant(module, "SIGRTMIN", SIGRTMIN) < 0 || PyModule_AddIntConstant(module, "SIGRTMAX", SIGRTMAX) < 0) return -1;
    PyObject *error = PyErr_NewException("signal.itimer_error", PyExc_OSError, NULL);
    int status = PyModule_AddObjectRef(module, "ItimerError", error);
    Py_XDECREF(error);
    if (status < 0) return -1;
    PyObject *type = (PyObject *)PyStructSequence_NewType(&siginfo_desc);
    status = PyModule_AddObjectRef(module, "struct_siginfo", type);
    Py_XDECREF(type);
    if (status < 0) return -1;
    if (interp_get() == P->main_interpreter && interp_config(interp_get())->install_signal_handlers &&
        P->signals[SIGINT].handler == P->default_handler) {
        PyObject *handler = PyDict_GetItemString(dict, "default_int_handler");
        if (handler) {
            Py_SETREF(P->signals[SIGINT].handler, Py_NewRef(handler));
            PyOS_setsig(SIGINT, signal_handler);
        }
    }
    return 0;
}

static PyModuleDef_Slot signal_slots[] = {
    {Py_mod_exec, (void *)signal_exec}, {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED}, {0, NULL}
};

static PyModuleDef signal_module = {
    PyModuleDef_HEAD_INIT, .m_name = "_signal",
    .m_doc = "Signal handlers written in Python: signal(), getsignal(), timers, masks, and the numbers of signals.",
    .m_size = 0, .m_methods = signal_methods, .m_slots = signal_slots,
};

PyMODINIT_FUNC PyInit__signal(void) { return PyModuleDef_Init(&signal_module); }

/* Back to what the process had, at the end. */
void signals_fini(void)
{
    for (int i = 1; i < SIGNALS; i++) {
        PyObject *handler = P->signals[i].handler;
        P->signals[i].handler = NULL;
        P->signals[i].tripped = 0;
        if (handler && handler != Py_None && handler != P->default_handler && handler != P->ignore_handler) PyOS_setsig(i, SIG_DFL);
        Py_XDECREF(handler);
    }
    Py_CLEAR(P->default_handler);
    Py_CLEAR(P->ignore_handler);
}

/* In the child of fork: signals that were for the parent. */
void signals_clear(void)
{
    if (!P->signal_tripped) return;
    P->signal_tripped = 0;
    for (int i = 1; i < SIGNALS; i++) P->signals[i].tripped = 0;
}
