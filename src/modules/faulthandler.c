/* faulthandler: tracebacks on fatal signals, on chosen signals, and after a time. Handlers write with write(2) only and read
 * the interpreter's structures as they lie (runtime/fatal.c). State is the process's: signal handlers are. */
#include "runtime/state.h"
#include "runtime/runtime_private.h"
#include "runtime/pytime.h"
#include "capi/args.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define P (&_PyRuntime.runtime)

enum { SIGNALS = PROCESS_SIGNALS };

typedef struct UserSignal {
    bool enabled, all_threads, chain;
    PyObject *file;
    int fd;
    Interpreter *interp;
    struct sigaction previous;
} UserSignal;

static const struct { int number; const char *name; } fatal_signals[] = {
    { SIGBUS, "Bus error" }, { SIGILL, "Illegal instruction" }, { SIGFPE, "Floating-point exception" }, { SIGABRT, "Aborted" },
    { SIGSEGV, "Segmentation fault" },
};
enum { FATAL_SIGNALS = sizeof fatal_signals / sizeof *fatal_signals };

typedef struct FaultHandler {
    struct { bool enabled, all_threads; PyObject *file; int fd; struct sigaction previous[FATAL_SIGNALS]; bool installed[FATAL_SIGNALS]; } fatal;
    struct {
        PyObject *file;
        int fd;
        PyTime_t timeout;
        bool repeat, exit, active;
        Interpreter *interp;
        char header[64];
        PyThread_type_lock cancel, running;  /* cancel: released to stop the thread; running: held by it */
    } later;
    UserSignal *user;
    stack_t stack, old_stack;
} FaultHandler;

static FaultHandler *state(void)
{
    if (!P->faulthandler && !(P->faulthandler = calloc(1, sizeof(FaultHandler)))) PyErr_NoMemory();
    return P->faulthandler;
}

/* ---- arguments -------------------------------------------------------------------------------------------------- */

/* The descriptor of a file argument; *file becomes a borrowed file to keep, NULL for a plain descriptor. -1 exception. */
static int fileno_of(PyObject **file)
{
    PyObject *o = *file;
    if (!o || o == Py_None) {
        o = sys_get(STR(stderr));
        if (!o) {
            PyErr_SetString(PyExc_RuntimeError, "unable to get sys.stderr");
            return -1;
        }
        if (o == Py_None) {
            PyErr_SetString(PyExc_RuntimeError, "sys.stderr is None");
            return -1;
        }
    }
    else if (PyLong_Check(o)) {
        int fd = PyLong_AsInt(o);
        if (fd == -1 && PyErr_Occurred()) return -1;
        if (fd < 0) {
            PyErr_SetString(PyExc_ValueError, "file is not a valid file descripter");
            return -1;
        }
        *file = NULL;
        return fd;
    }
    PyObject *number = PyObject_CallMethodNoArgs(o, STR(fileno));
    if (!number) return -1;
    long fd = PyLong_Check(number) ? PyLong_AsLong(number) : -1;
    if (fd == -1) PyErr_Clear();
    Py_DECREF(number);
    if (fd < 0 || fd > INT_MAX) {
        PyErr_SetString(PyExc_RuntimeError, "file.fileno() is not a valid file descriptor");
        return -1;
    }
    PyObject *flushed = PyObject_CallMethodNoArgs(o, STR(flush));
    if (!flushed) PyErr_Clear();
    Py_XDECREF(flushed);
    *file = o;
    return (int)fd;
}

static int flag_of(PyObject *o, int otherwise) { return o ? PyObject_IsTrue(o) : otherwise; }

/* ---- dumping ---------------------------------------------------------------------------------------------------- */

static void dump(int fd, bool all_threads, Interpreter *interp)
{
    PyThreadState *ts = PyGILState_GetThisThreadState();
    if (all_threads) dump_all_threads(fd, interp, ts);
    else if (ts) dump_traceback(fd, ts, true);
}

BUILTIN(faulthandler, dump_traceback, KEYWORDS, "($module, /, file=sys.stderr, all_threads=True)",
        "Dump the traceback of the current thread, or of all threads if all_threads is True, into file.")
{
    PyObject *file = arg[0];
    int all = flag_of(arg[1], 1), fd = all < 0 ? -1 : fileno_of(&file);
    if (fd < 0) return NULL;
    PyThreadState *ts = PyThreadState_Get();
    if (all) {
        const char *wrong = dump_all_threads(fd, NULL, ts);
        if (wrong) {
            PyErr_SetString(PyExc_RuntimeError, wrong);
            return NULL;
        }
    }
    else dump_traceback(fd, ts, true);
    if (PyErr_CheckSignals()) return NULL;
    Py_RETURN_NONE;
}

/* ---- fatal signals ---------------------------------------------------------------------------------------------- */

static void fatal_restore(FaultHandler *s)
{
    for (int i = 0; i < FATAL_SIGNALS; i++) {
        if (!s->fatal.installed[i]) continue;
        s->fatal.installed[i] = false;
        sigaction(fatal_signals[i].number, &s->fatal.previous[i], NULL);
    }
}

static void fatal_handler(int number)
{
    FaultHandler *s = P->faulthandler;
    if (!s || !s->fatal.enabled) return;
    int saved = errno, fd = s->fatal.fd, i = 0;
    while (i < FATAL_SIGNALS - 1 && fatal_signals[i].number != number) i++;
    s->fatal.installed[i] = false;
    sigaction(number, &s->fatal.previous[i], NULL);
    dump_text(fd, "Fatal Python error: ");
    dump_text(fd, fatal_signals[i].name);
    dump_text(fd, "\n\n");
    dump(fd, s->fatal.all_threads, NULL);
    PyThreadState *ts = PyGILState_GetThisThreadState();
    dump_extension_modules(fd, ts ? ts->interp : P->main_interpreter);
    errno = saved;
    raise(number);                           /* now as the process would have died without us */
}

static int fatal_enable(FaultHandler *s)
{
    if (s->fatal.enabled) return 0;
    s->fatal.enabled = true;
    if (!s->stack.ss_sp) {
        s->stack.ss_size = (size_t)SIGSTKSZ * 2 + 65536;
        s->stack.ss_sp = malloc(s->stack.ss_size);
        if (s->stack.ss_sp && sigaltstack(&s->stack, &s->old_stack)) {
            free(s->stack.ss_sp);
            s->stack.ss_sp = NULL;
        }
    }
    for (int i = 0; i < FATAL_SIGNALS; i++) {
        struct sigaction action = { 0 };
        action.sa_handler = fatal_handler;
        sigemptyset(&action.sa_mask);
        action.sa_flags = SA_NODEFER | (s->stack.ss_sp ? SA_ONSTACK : 0);
        if (sigaction(fatal_signals[i].number, &action, &s->fatal.previous[i])) {
            PyErr_SetFromErrno(PyExc_RuntimeError);
            return -1;
        }
        s->fatal.installed[i] = true;
    }
    return 0;
}

BUILTIN(faulthandler, enable, KEYWORDS, "($module, /, file=sys.stderr, all_threads=True)", "Enable the fault handler.")
{
    FaultHandler *s = state();
    PyObject *file = arg[0];
    int all = flag_of(arg[1], 1), fd = all < 0 || !s ? -1 : fileno_of(&file);
    if (fd < 0) return NULL;
    Py_XSETREF(s->fatal.file, Py_XNewRef(file));
    s->fatal.fd = fd;
    s->fatal.all_threads = all;
    if (fatal_enable(s) < 0) return NULL;
    Py_RETURN_NONE;
}

static void fatal_disable(FaultHandler *s)
{
    if (s->fatal.enabled) {
        s->fatal.enabled = false;
        fatal_restore(s);
    }
    Py_CLEAR(s->fatal.file);
}

BUILTIN_NOARGS(faulthandler, disable, "($module, /)", "Disable the fault handler.")
{
    FaultHandler *s = state();
    if (!s) return NULL;
    bool enabled = s->fatal.enabled;
    fatal_disable(s);
    return PyBool_FromLong(enabled);
}

BUILTIN_NOARGS(faulthandler, is_enabled, "($module, /)", "Check if the handler is enabled.")
{
    return PyBool_FromLong(P->faulthandler && ((FaultHandler *)P->faulthandler)->fatal.enabled);
}

/* ---- after a time ----------------------------------------------------------------------------------------------- */

static void later_thread(void *p)
{
    FaultHandler *s = p;
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    PyTime_t us = time_as_microseconds(s->later.timeout, ROUND_TIME_CEILING);
    do {
        if (PyThread_acquire_lock_timed(s->later.cancel, us, 0) == PY_LOCK_ACQUIRED) {
            PyThread_release_lock(s->later.cancel);
            break;
        }
        dump_text(s->later.fd, s->later.header);
        const char *wrong = dump_all_threads(s->later.fd, s->later.interp, NULL);
        if (s->later.exit) _exit(1);
        if (wrong) break;
    } while (s->later.repeat);
    PyThread_release_lock(s->later.running);
}

static void later_cancel(FaultHandler *s)
{
    if (!s->later.cancel) return;
    PyThread_release_lock(s->later.cancel);
    PyThread_acquire_lock(s->later.running, 1);             /* wait for its end */
    PyThread_release_lock(s->later.running);
    PyThread_acquire_lock(s->later.cancel, 1);
    Py_CLEAR(s->later.file);
    s->later.active = false;
}

BUILTIN(faulthandler, dump_traceback_later, KEYWORDS, "($module, /, timeout, repeat=False, file=sys.stderr, exit=False)",
        "Dump the traceback of all threads in timeout seconds,\n"
        "or each timeout seconds if repeat is True. If exit is True, call _exit(1) which is not safe.")
{
    FaultHandler *s = state();
    PyTime_t timeout;
    PyObject *file = arg[2];
    int repeat = flag_of(arg[1], 0), leave = flag_of(arg[3], 0);
    if (!s || repeat < 0 || leave < 0 || time_from_seconds_object(&timeout, arg[0], ROUND_TIMEOUT) < 0) return NULL;
    if (time_as_microseconds(timeout, ROUND_TIMEOUT) <= 0) {
        PyErr_SetString(PyExc_ValueError, "timeout must be greater than 0");
        return NULL;
    }
    int fd = fileno_of(&file);
    if (fd < 0) return NULL;
    if (!s->later.cancel) {
        s->later.cancel = PyThread_allocate_lock();
        s->later.running = PyThread_allocate_lock();
        if (!s->later.cancel || !s->later.running) return PyErr_NoMemory();
        PyThread_acquire_lock(s->later.cancel, 1);
    }
    later_cancel(s);
    PyTime_t us = time_as_microseconds(timeout, ROUND_TIMEOUT), seconds = us / 1000000;
    int rest = (int)(us % 1000000);
    if (rest) snprintf(s->later.header, sizeof s->later.header, "Timeout (%ld:%02ld:%02ld.%06d)!\n", (long)(seconds / 3600), (long)(seconds / 60 % 60), (long)(seconds % 60), rest);
    else snprintf(s->later.header, sizeof s->later.header, "Timeout (%ld:%02ld:%02ld)!\n", (long)(seconds / 3600), (long)(seconds / 60 % 60), (long)(seconds % 60));
    s->later.file = Py_XNewRef(file);
    s->later.fd = fd;
    s->later.timeout = timeout;
    s->later.repeat = repeat;
    s->later.exit = leave;
    s->later.interp = interp_get();
    PyThread_acquire_lock(s->later.running, 1);
    if (PyThread_start_new_thread(later_thread, s) == PYTHREAD_INVALID_THREAD_ID) {
        PyThread_release_lock(s->later.running);
        Py_CLEAR(s->later.file);
        PyErr_SetString(PyExc_RuntimeError, "unable to start watchdog thread");
        return NULL;
    }
    s->later.active = true;
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(faulthandler, cancel_dump_traceback_later, "($module, /)", "Cancel the previous call to dump_traceback_later().")
{
    FaultHandler *s = state();
    if (!s) return NULL;
    later_cancel(s);
    Py_RETURN_NONE;
}

/* ---- chosen signals --------------------------------------------------------------------------------------------- */

static void user_install(int number, bool chain, struct sigaction *previous);

static void user_handler(int number)
{
    FaultHandler *s = P->faulthandler;
    UserSignal *user = s && s->user ? &s->user[number] : NULL;
    if (!user || !user->enabled) return;
    int saved = errno;
    dump(user->fd, user->all_threads, user->interp);
    if (user->chain) {
        struct sigaction ignored;
        sigaction(number, &user->previous, NULL);
        errno = saved;
        raise(number);
        saved = errno;
        user_install(number, true, &ignored);
    }
    errno = saved;
}

static void user_install(int number, bool chain, struct sigaction *previous)
{
    FaultHandler *s = P->faulthandler;
    struct sigaction action = { 0 };
    action.sa_handler = user_handler;
    sigemptyset(&action.sa_mask);
    action.sa_flags = SA_RESTART | (chain ? SA_NODEFER : 0) | (s->stack.ss_sp ? SA_ONSTACK : 0);
    if (sigaction(number, &action, previous)) memset(previous, 0, sizeof *previous);
}

static int check_number(int number)
{
    for (int i = 0; i < FATAL_SIGNALS; i++) {
        if (fatal_signals[i].number != number) continue;
        PyErr_Format(PyExc_RuntimeError, "signal %i cannot be registered, use enable() instead", number);
        return -1;
    }
    if (number >= 1 && number < SIGNALS) return 0;
    PyErr_SetString(PyExc_ValueError, "signal number out of range");
    return -1;
}

BUILTIN(faulthandler, register, KEYWORDS, "($module, /, signum, file=sys.stderr, all_threads=True, chain=False)",
        "Register a handler for the signal 'signum': dump the traceback of the current thread, or of all threads if all_threads is True, into file.")
{
    FaultHandler *s = state();
    PyObject *file = arg[1];
    int number = PyLong_AsInt(arg[0]), all = flag_of(arg[2], 1), chain = flag_of(arg[3], 0);
    if (!s || PyErr_Occurred() || check_number(number) < 0) return NULL;
    int fd = fileno_of(&file);
    if (fd < 0) return NULL;
    if (!s->user && !(s->user = calloc(SIGNALS, sizeof *s->user))) return PyErr_NoMemory();
    UserSignal *user = &s->user[number];
    if (!user->enabled) user_install(number, chain, &user->previous);
    Py_XSETREF(user->file, Py_XNewRef(file));
    user->fd = fd;
    user->all_threads = all;
    user->chain = chain;
    user->interp = interp_get();
    user->enabled = true;
    Py_RETURN_NONE;
}

static bool user_remove(UserSignal *user, int number)
{
    if (!user->enabled) return false;
    user->enabled = false;
    sigaction(number, &user->previous, NULL);
    Py_CLEAR(user->file);
    user->fd = -1;
    return true;
}

BUILTIN_O(faulthandler, unregister, "($module, signum, /)", "Unregister the handler of the signal 'signum' registered by register().")
{
    FaultHandler *s = state();
    int number = PyLong_AsInt(arg);
    if (!s || (number == -1 && PyErr_Occurred()) || check_number(number) < 0) return NULL;
    return PyBool_FromLong(s->user && user_remove(&s->user[number], number));
}

/* ---- ways to die, for tests ------------------------------------------------------------------------------------- */

static void no_core(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_CORE, &limit)) return;
    limit.rlim_cur = 0;
    setrlimit(RLIMIT_CORE, &limit);
}

BUILTIN_NOARGS(faulthandler, _read_null, "($module, /)", "Read from NULL, raise a SIGSEGV or SIGBUS signal depending on the platform.")
{
    no_core();
    volatile int *volatile nowhere = NULL;
    return PyLong_FromLong(*nowhere);
}

BUILTIN(faulthandler, _sigsegv, POSITIONAL, "($module, release_gil=False, /)", "Raise a SIGSEGV signal.")
{
    int release = flag_of(arg[0], 0);
    if (release < 0) return NULL;
    no_core();
    if (release) {
        Py_BEGIN_ALLOW_THREADS
        raise(SIGSEGV);
        Py_END_ALLOW_THREADS
    }
    else raise(SIGSEGV);
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(faulthandler, _sigabrt, "($module, /)", "Raise a SIGABRT signal.")
{
    no_core();
    abort();
}

BUILTIN_NOARGS(faulthandler, _sigfpe, "($module, /)", "Raise a SIGFPE signal.")
{
    no_core();
    raise(SIGFPE);
    Py_RETURN_NONE;
}

static void fatal_error_thread(void *lock)
{
    _Py_FatalErrorFunc("faulthandler_fatal_error_thread", "in new thread");
    PyThread_release_lock(lock);
}

BUILTIN_NOARGS(faulthandler, _fatal_error_c_thread, "($module, /)", "Call Py_FatalError() in a new C thread.")
{
    PyThread_type_lock lock = PyThread_allocate_lock();
    no_core();
    if (!lock) return PyErr_NoMemory();
    PyThread_acquire_lock(lock, 1);
    if (PyThread_start_new_thread(fatal_error_thread, lock) == PYTHREAD_INVALID_THREAD_ID) {
        PyThread_free_lock(lock);
        PyErr_SetString(PyExc_RuntimeError, "unable to start the thread");
        return NULL;
    }
    PyThread_acquire_lock(lock, 1);
    Py_RETURN_NONE;
}

static uintptr_t overflow_stack(uintptr_t low, uintptr_t high, size_t *depth)
{
    volatile unsigned char waste[4096];
    uintptr_t here = (uintptr_t)waste;
    *depth += 1;
    if (here < low || high < here) return here;
    waste[0] = 1;
    waste[4095] = 0;
    return overflow_stack(low, high, depth) + waste[0];
}

BUILTIN_NOARGS(faulthandler, _stack_overflow, "($module, /)", "Recursive call to raise a stack overflow.")
{
    size_t depth = 0;
    uintptr_t here = (uintptr_t)&depth, size = (uintptr_t)100 << 20;
    no_core();
    overflow_stack(here > size ? here - size : 0, here < UINTPTR_MAX - size ? here + size : UINTPTR_MAX, &depth);
    PyErr_Format(PyExc_RuntimeError, "unable to raise a stack overflow (allocated %zu bytes on the stack, %zu recursive calls)", (size_t)size, depth);
    return NULL;
}

/* ---- the module ------------------------------------------------------------------------------------------------- */

static PyMethodDef faulthandler_methods[] = {
    METHOD(faulthandler, enable), METHOD(faulthandler, disable), METHOD(faulthandler, is_enabled), METHOD(faulthandler, dump_traceback),
    METHOD(faulthandler, dump_traceback_later), METHOD(faulthandler, cancel_dump_traceback_later), METHOD(faulthandler, register),
    METHOD_BARE(faulthandler, unregister), METHOD(faulthandler, _read_null), METHOD(faulthandler, _sigsegv),
    METHOD(faulthandler, _fatal_error_c_thread), METHOD(faulthandler, _sigabrt), METHOD(faulthandler, _sigfpe),
    METHOD(faulthandler, _stack_overflow), {0}
};

static int faulthandler_traverse(PyObject *Py_UNUSED(module), visitproc visit, void *arg)
{
    FaultHandler *s = P->faulthandler;
    if (!s) return 0;
    Py_VISIT(s->later.file);
    for (int i = 0; s->user && i < SIGNALS; i++) Py_VISIT(s->user[i].file);
    Py_VISIT(s->fatal.file);
    return 0;
}

static PyModuleDef_Slot faulthandler_slots[] = { {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED}, {0, NULL} };

static struct PyModuleDef faulthandler_module = {
    PyModuleDef_HEAD_INIT, .m_name = "faulthandler", .m_doc = "faulthandler module.", .m_methods = faulthandler_methods,
    .m_slots = faulthandler_slots, .m_traverse = faulthandler_traverse,
};

PyMODINIT_FUNC PyInit_faulthandler(void) { return PyModuleDef_Init(&faulthandler_module); }

int faulthandler_init(bool enable)
{
    if (!enable) return 0;
    FaultHandler *s = state();
    if (!s) return -1;
    s->fatal.fd = 2;
    s->fatal.all_threads = true;
    return fatal_enable(s);
}

void faulthandler_fini(void)
{
    FaultHandler *s = P->faulthandler;
    if (!s) return;
    if (s->later.cancel) later_cancel(s);
    for (int i = 0; s->user && i < SIGNALS; i++) user_remove(&s->user[i], i);
    fatal_disable(s);
    if (s->stack.ss_sp) {
        stack_t now;
        if (sigaltstack(NULL, &now) == 0 && now.ss_sp == s->stack.ss_sp) sigaltstack(&s->old_stack, NULL);
        free(s->stack.ss_sp);
        s->stack.ss_sp = NULL;
    }
}
