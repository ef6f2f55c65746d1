/* The GIL, pending calls, and attaching a thread state to the OS thread that runs it.
 *
 * A waiter sleeps for the switch interval; when nobody else got the lock meanwhile it sets EVAL_GIL_DROP_REQUEST on the
 * holder. A holder that drops on request waits until another thread has taken the lock: without that a busy thread would
 * take it back before the waiter woke. The fast paths (no contention) are one mutex operation each way. */
#include "runtime/state.h"
#include "runtime/runtime_private.h"
#include "memory/tracing.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define P (&_PyRuntime.runtime)

enum { GIL_DEFAULT_INTERVAL = 5000 };

/* In the stable ABI, no longer declared. */
PyAPI_FUNC(void) PyEval_AcquireLock(void);
PyAPI_FUNC(void) PyEval_ReleaseLock(void);
PyAPI_FUNC(int) PyEval_ThreadsInitialized(void);

int gil_init(Gil *gil)
{
    if (gil->ready) return 0;
    pthread_condattr_t monotonic;
    if (pthread_mutex_init(&gil->mutex, NULL)) return -1;
    if (pthread_condattr_init(&monotonic)) return -1;
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    int failed = pthread_cond_init(&gil->released, &monotonic) || pthread_cond_init(&gil->switched, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (failed) return -1;
    if (!gil->interval) gil->interval = GIL_DEFAULT_INTERVAL;
    gil->locked = 0;
    gil->holder = NULL;
    gil->ready = true;
    return 0;
}

/* A thread other than the finalizing one must not run Python code any more. */
static bool thread_must_stop(PyThreadState *ts)
{
    PyThreadState *finalizing = __atomic_load_n(&P->finalizing, __ATOMIC_ACQUIRE);
    if (!finalizing) finalizing = __atomic_load_n(&ts->interp->runtime.finalizing, __ATOMIC_ACQUIRE);
    return finalizing && finalizing != ts && finalizing->thread_id != PyThread_get_thread_ident();
}

/* Daemon threads end here: they hold no lock, and unwinding them would run code of an interpreter that is gone. */
static void _Py_NO_RETURN thread_stop(void)
{
    for (;;) pause();
}

static void deadline_after(struct timespec *when, unsigned long microseconds)
{
    clock_gettime(CLOCK_MONOTONIC, when);
    when->tv_sec += (time_t)(microseconds / 1000000);
    when->tv_nsec += (long)(microseconds % 1000000) * 1000;
    if (when->tv_nsec >= 1000000000) {
        when->tv_nsec -= 1000000000;
        when->tv_sec++;
    }
}

/* The two halves of attaching: gil_take() and gil_drop(). */
void gil_take(PyThreadState *ts)
{
    Gil *gil = ts->interp->runtime.gil;
    if (UNLIKELY(thread_must_stop(ts))) thread_stop();
    bool requested = false;
    pthread_mutex_lock(&gil->mutex);
    while (gil->locked) {
        struct timespec when;
        unsigned long seen = gil->switches;
        deadline_after(&when, gil->interval ? gil->interval : 1);
        int status = pthread_cond_timedwait(&gil->released, &gil->mutex, &when);
        if (status == ETIMEDOUT && gil->locked && gil->switches == seen) {
            if (UNLIKELY(thread_must_stop(ts))) {
                pthread_mutex_unlock(&gil->mutex);
                thread_stop();
            }
            if (gil->holder) eval_breaker_set(gil->holder, EVAL_GIL_DROP_REQUEST);
            requested = true;
        }
    }
    gil->locked = 1;
    if (gil->holder != ts) {
        gil->holder = ts;
        gil->switches++;
        pthread_cond_signal(&gil->switched);
    }
    pthread_mutex_unlock(&gil->mutex);
    if (UNLIKELY(thread_must_stop(ts))) {
        gil_release_anonymous(gil);
        thread_stop();
    }
    ts->_status.holds_gil = 1;
    ts->_status.active = 1;
    if (requested) eval_breaker_clear(ts, EVAL_GIL_DROP_REQUEST);
}

/* ts is about to be freed, perhaps with the GIL still locked: nobody may ask it for that any more. */
void gil_forget_holder(Gil *gil, PyThreadState *ts)
{
    pthread_mutex_lock(&gil->mutex);
    if (gil->holder == ts) gil->holder = NULL;
    pthread_mutex_unlock(&gil->mutex);
}

void gil_release_anonymous(Gil *gil)
{
    pthread_mutex_lock(&gil->mutex);
    gil->locked = 0;
    pthread_cond_signal(&gil->released);
    pthread_mutex_unlock(&gil->mutex);
}

static void gil_drop(PyThreadState *ts)
{
    Gil *gil = ts->interp->runtime.gil;
    ts->_status.holds_gil = 0;
    ts->_status.active = 0;
    pthread_mutex_lock(&gil->mutex);
    gil->locked = 0;
    pthread_cond_signal(&gil->released);
    if (UNLIKELY(__atomic_load_n(&ts->eval_breaker, __ATOMIC_RELAXED) & EVAL_GIL_DROP_REQUEST)) {
        eval_breaker_clear(ts, EVAL_GIL_DROP_REQUEST);
        while (gil->holder == ts) {         /* until the one who asked has it; bounded, should it have gone away */
            struct timespec when;
            deadline_after(&when, 10 * (gil->interval ? gil->interval : 1));
            if (pthread_cond_timedwait(&gil->switched, &gil->mutex, &when) == ETIMEDOUT) break;
        }
    }
    pthread_mutex_unlock(&gil->mutex);
}

/* PyThreadState_Swap within one GIL. */
void gil_change_holder(PyThreadState *from, PyThreadState *to)
{
    Gil *gil = to->interp->runtime.gil;
    from->_status.holds_gil = from->_status.active = 0;
    to->_status.holds_gil = to->_status.active = 1;
    pthread_mutex_lock(&gil->mutex);
    gil->holder = to;
    pthread_mutex_unlock(&gil->mutex);
}

unsigned long gil_switch_interval(Interpreter *interp) { return interp->runtime.gil->interval; }
void gil_set_switch_interval(Interpreter *interp, unsigned long us) { interp->runtime.gil->interval = us; }

/* ---- attaching -------------------------------------------------------------------------------------------------- */

void thread_attach(PyThreadState *ts)
{
    gil_take(ts);
    if (!ts->_status.bound) thread_bind(ts);
    gilstate_follow(ts);
    thread_current = (Thread *)ts;
    if (UNLIKELY(P->signal_tripped) && ts == P->main_thread_state) eval_breaker_set(ts, EVAL_SIGNALS_PENDING);
}

void thread_detach(PyThreadState *ts)
{
    thread_current = NULL;
    gil_drop(ts);
}

PyThreadState *PyEval_SaveThread(void)
{
    PyThreadState *ts = (PyThreadState *)thread_current;
    if (UNLIKELY(!ts)) _Py_FatalErrorFunc(__func__, "the function must be called with the GIL held, after Python "
                                          "initialization and before Python finalization, but the GIL is released "
                                          "(the current Python thread state is NULL)");
    thread_detach(ts);
    return ts;
}

void PyEval_RestoreThread(PyThreadState *ts)
{
    if (UNLIKELY(!ts)) _Py_FatalErrorFunc(__func__, "the function must be called with an active thread state");
    int saved = errno;
    thread_attach(ts);
    errno = saved;
}

void PyEval_AcquireThread(PyThreadState *ts)
{
    if (!ts) _Py_FatalErrorFunc(__func__, "the function must be called with an active thread state");
    thread_attach(ts);
}

void PyEval_ReleaseThread(PyThreadState *ts)
{
    if (ts != (PyThreadState *)thread_current) _Py_FatalErrorFunc(__func__, "wrong thread state");
    thread_detach(ts);
}

void PyEval_InitThreads(void) { }
int PyEval_ThreadsInitialized(void) { return P->gil.ready; }
void PyEval_AcquireLock(void)
{
    PyThreadState *ts = PyThreadState_Get();
    gil_take(ts);
}

void PyEval_ReleaseLock(void) { gil_drop(PyThreadState_Get()); }

/* Called by the evaluation loop (EVAL_GIL_DROP_REQUEST): lets someone else run. */
static void gil_yield(PyThreadState *ts)
{
    thread_detach(ts);
    thread_attach(ts);
}

/* In the child of fork: the locks of other threads are gone; this thread holds the GIL. */
void gil_after_fork_child(PyThreadState *ts)
{
    Gil *gil = ts->interp->runtime.gil;
    gil->ready = false;
    gil_init(gil);
    gil->locked = 1;
    gil->holder = ts;
    eval_breaker_clear(ts, EVAL_GIL_DROP_REQUEST);
    pthread_mutex_init(&P->lists, NULL);
    pthread_mutex_init(&P->shared, NULL);
    pthread_mutex_init(&P->main_pending.mutex, NULL);
    tracing_after_fork();
    for (Interpreter *interp = P->interpreters; interp; interp = interp->runtime.next)
        pthread_mutex_init(&interp->runtime.pending.mutex, NULL);
}

/* ---- pending calls ---------------------------------------------------------------------------------------------- */

static int pending_push(PendingCalls *pending, int (*function)(void *), void *argument)
{
    pthread_mutex_lock(&pending->mutex);
    int status = -1;
    if (pending->count < pending->limit) {
        int at = (pending->first + pending->count++) % PENDING_CALLS_MAX;
        pending->calls[at].function = function;
        pending->calls[at].argument = argument;
        status = 0;
    }
    pthread_mutex_unlock(&pending->mutex);
    return status;
}

/* Any thread, GIL or not. The call runs in the main thread, soon. */
int Py_AddPendingCall(int (*function)(void *), void *argument)
{
    process_init();
    int status = pending_push(&P->main_pending, function, argument);
    PyThreadState *main = P->main_thread_state;
    if (main) eval_breaker_set(main, EVAL_CALLS_TO_DO);
    return status;
}

int pending_add(Interpreter *interp, int (*function)(void *), void *argument)
{
    int status = pending_push(&interp->runtime.pending, function, argument);
    lists_lock();
    for (PyThreadState *ts = interp->runtime.threads; ts; ts = ts->next) eval_breaker_set(ts, EVAL_CALLS_TO_DO);
    lists_unlock();
    return status;
}

int pending_add_to(int64_t id, int (*function)(void *), void *argument)
{
    lists_lock();
    Interpreter *interp = P->interpreters;
    while (interp && interp->runtime.id != id) interp = interp->runtime.next;
    int status = interp ? pending_push(&interp->runtime.pending, function, argument) : -1;
    for (PyThreadState *ts = interp ? interp->runtime.threads : NULL; ts; ts = ts->next) eval_breaker_set(ts, EVAL_CALLS_TO_DO);
    lists_unlock();
    return status;
}

static int pending_drain(PendingCalls *pending, PyThreadState *ts)
{
    if (pending->busy) return 0;
    pending->busy = true;
    int status = 0, budget = pending->limit;
    while (budget-- > 0) {
        pthread_mutex_lock(&pending->mutex);
        if (!pending->count) {
            pthread_mutex_unlock(&pending->mutex);
            break;
        }
        int (*function)(void *) = pending->calls[pending->first].function;
        void *argument = pending->calls[pending->first].argument;
        pending->first = (pending->first + 1) % PENDING_CALLS_MAX;
        pending->count--;
        pthread_mutex_unlock(&pending->mutex);
        if ((status = function(argument)) != 0) { status = -1; break; }
    }
    if (pending->count) eval_breaker_set(ts, EVAL_CALLS_TO_DO);
    pending->busy = false;
    return status;
}

int pending_calls_run(PyThreadState *ts)
{
    eval_breaker_clear(ts, EVAL_CALLS_TO_DO);
    if (pending_drain(&ts->interp->runtime.pending, ts) < 0) return -1;
    if (ts == P->main_thread_state && PyThread_get_thread_ident() == P->main_thread) return pending_drain(&P->main_pending, ts);
    return 0;
}

int Py_MakePendingCalls(void)
{
    PyThreadState *ts = PyThreadState_Get();
    if (PyErr_CheckSignals() < 0) return -1;
    return pending_calls_run(ts);
}

int eval_handle_pending(PyThreadState *ts)
{
    uintptr_t breaker = __atomic_load_n(&ts->eval_breaker, __ATOMIC_RELAXED);
    if (breaker & EVAL_SIGNALS_PENDING && signals_run(ts) < 0) return -1;
    if (breaker & EVAL_CALLS_TO_DO && pending_calls_run(ts) < 0) return -1;
    if (breaker & EVAL_GC_SCHEDULED) {
        eval_breaker_clear(ts, EVAL_GC_SCHEDULED);
        gc_run_scheduled(ts);
    }
    if (breaker & EVAL_GIL_DROP_REQUEST) gil_yield(ts);
    if (breaker & EVAL_ASYNC_EXCEPTION) {
        eval_breaker_clear(ts, EVAL_ASYNC_EXCEPTION);
        PyObject *exception = ts->async_exc;
        ts->async_exc = NULL;
        if (exception) {
            PyErr_SetNone(exception);
            Py_DECREF(exception);
            return -1;
        }
    }
    return 0;
}
