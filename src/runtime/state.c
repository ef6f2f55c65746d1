/* Process, interpreters and thread states: making, linking and ending them, and the PyGILState protocol.
 *
 * thread_current is the thread state that runs on this OS thread and holds the GIL, or NULL.
 * thread_gilstate is the one that PyGILState_Ensure uses: the last state attached in this OS thread.
 * The lists of interpreters and of threads are guarded by Process.runtime.lists. */
#include "eval/eval.h"
#include "objects/type.h"
#include "objects/unicode.h"
#include "runtime/crossinterp.h"
#include "runtime/state.h"
#include "runtime/runtime_private.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

_Thread_local Thread *thread_current __attribute__((tls_model("initial-exec")));
static _Thread_local PyThreadState *thread_gilstate;

#define P (&_PyRuntime.runtime)

enum { Py_DEFAULT_RECURSION_LIMIT = 1000 };

void lists_lock(void) { pthread_mutex_lock(&P->lists); }
void lists_unlock(void) { pthread_mutex_unlock(&P->lists); }

static void _Py_NO_RETURN runtime_fatal_pointer(const char *function, const char *format, const void *p)
{
    char message[200];
    snprintf(message, sizeof message, format, p);
    _Py_FatalErrorFunc(function, message);
}

/* ---- the C stack ------------------------------------------------------------------------------------------------ */

/* Bounds of the calling thread's stack. The main thread's are computed, because asking glibc means parsing /proc. */
static void stack_bounds(uintptr_t *low, uintptr_t *high)
{
    if (getpid() == (pid_t)PyThread_get_thread_native_id()) {
        struct rlimit limit;
        uintptr_t here = (uintptr_t)__builtin_frame_address(0);
        size_t size = 8 << 20;
        if (getrlimit(RLIMIT_STACK, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) size = limit.rlim_cur;
        if (size > (size_t)1 << 30) size = (size_t)1 << 30;
        extern char **environ;
        uintptr_t top = environ && environ[0] ? (uintptr_t)environ[0] : here;
        if (top < here || top - here > ((size_t)64 << 20)) top = here + 4096;
        *high = (top + 4095) & ~(uintptr_t)4095;
        *low = *high - size;
        if (*low > here) *low = here - (4 << 20);
        return;
    }
    pthread_attr_t attributes;
    void *address;
    size_t size;
    if (pthread_getattr_np(pthread_self(), &attributes) == 0) {
        size_t guard = 0;
        pthread_attr_getguardsize(&attributes, &guard);
        int failed = pthread_attr_getstack(&attributes, &address, &size);
        pthread_attr_destroy(&attributes);
        if (!failed) {
            *low = (uintptr_t)address + guard;
            *high = (uintptr_t)address + size;
            return;
        }
    }
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);
    *low = here - (64 << 10);
    *high = here + (4 << 10);
}

/* ---- interpreters ----------------------------------------------------------------------------------------------- */

void process_init(void)
{
    if (P->ready) return;                    /* before main: single threaded */
    P->ready = true;
    pthread_mutex_init(&P->lists, NULL);
    pthread_mutex_init(&P->shared, NULL);
    extensions_lock_init();
    pthread_mutex_init(&P->main_pending.mutex, NULL);
    P->main_pending.limit = PENDING_MAIN_MAX;
    P->main_thread = PyThread_get_thread_ident();
    P->wakeup.fd = -1;
}

/* The bare interpreter, linked. NULL: no memory. Its GIL is set up by whoever makes the first thread. */
Interpreter *interp_new(void)
{
    process_init();
    Interpreter *interp = calloc(1, sizeof *interp);
    if (!interp) return NULL;
    RuntimeState *r = &interp->runtime;
    if (heap_init(&interp->heap) < 0) { free(interp); return NULL; }
    if (gc_init(&interp->gc) < 0) { heap_destroy(&interp->heap); free(interp); return NULL; }
    r->next_thread_id = 1;
    r->recursion_limit = Py_DEFAULT_RECURSION_LIMIT;
    r->import.dlopen_flags = 2;             /* RTLD_NOW */
    pthread_mutex_init(&r->import.mutex, NULL);
    pthread_cond_init(&r->import.released, NULL);
    pthread_mutex_init(&r->pending.mutex, NULL);
    r->pending.limit = PENDING_CALLS_MAX;
    r->id_refcount = -1;
    config_init_compat(&r->config);
    lists_lock();
    r->id = P->next_interpreter_id++;
    r->next = P->interpreters;
    P->interpreters = interp;
    if (!P->main_interpreter) {
        r->whence = WHENCE_RUNTIME;
        P->main_interpreter = interp;
        P->main_thread = PyThread_get_thread_ident();
    }
    lists_unlock();
    return interp;
}

PyInterpreterState *PyInterpreterState_New(void)
{
    PyThreadState *ts = PyThreadState_GetUnchecked();
    if (ts && PySys_Audit("cpython.PyInterpreterState_New", NULL) < 0) return NULL;
    Interpreter *interp = interp_new();
    if (!interp && ts) PyErr_NoMemory();
    return interp;
}

/* The objects that components keep for themselves, then all that only cycles kept alive. */
static void release_components(PyThreadState *ts)
{
    Interpreter *interp = ts->interp;
    ObjectState *objects = &interp->objects;
    Py_CLEAR(objects->errors.last_memory_error);
    Py_CLEAR(objects->errors.exception_group);
    Py_CLEAR(objects->errors.unraisable_args);
    Py_CLEAR(objects->numbers.int_info);
    Py_CLEAR(objects->numbers.float_info);
    Py_CLEAR(objects->types.typing);
    for (size_t i = 0; i < sizeof objects->types.typing_classes / sizeof *objects->types.typing_classes; i++)
        Py_CLEAR(objects->types.typing_classes[i]);
    Py_CLEAR(interp->gc.callbacks);
    Py_CLEAR(interp->gc.garbage);
    unicode_fini_codecs(interp);
    eval_fini(interp);
    PyType_ClearCache();
    gc_collect_at_exit(ts);
    PyErr_Clear();
    eval_fini_last(interp);
    types_fini(interp);
    unicode_fini_interp(interp);
}

/* Drops what the interpreter refers to. Its thread must be current (or none may exist). */
void PyInterpreterState_Clear(PyInterpreterState *interp)
{
    RuntimeState *r = &interp->runtime;
    PyThreadState *ts = PyThreadState_GetUnchecked();
    if (ts && PySys_Audit("cpython.PyInterpreterState_Clear", NULL) < 0) PyErr_Clear();
    for (PyThreadState *t = r->threads; t; t = t->next) PyThreadState_Clear(t);
    Py_CLEAR(r->audit_hooks);
    Py_CLEAR(r->import.import_function);
    Py_CLEAR(r->import.find_and_load);
    Py_CLEAR(r->import.handle_fromlist);
    Py_CLEAR(r->import.lock_unlock_module);
    Py_CLEAR(r->import.modules_by_index);
    if (ts) extensions_drop(interp);
    Py_CLEAR(r->warnings.filters);
    Py_CLEAR(r->warnings.once_registry);
    Py_CLEAR(r->warnings.default_action);
    Py_CLEAR(r->warnings.context);
    Py_CLEAR(r->importlib);
    Py_CLEAR(r->sysdict_copy);
    Py_CLEAR(r->builtins_copy);
    Py_CLEAR(r->dict);
    Py_CLEAR(r->fork_before);
    Py_CLEAR(r->fork_parent);
    Py_CLEAR(r->fork_child);
    Py_CLEAR(r->extra);
    Py_CLEAR(r->stdlib_dir);
    Py_CLEAR(r->modules);
    if (r->sysdict) PyDict_Clear(r->sysdict);
    if (r->builtins) PyDict_Clear(r->builtins);
    Py_CLEAR(r->sysdict);
    Py_CLEAR(r->builtins);
    if (ts && ts->interp == interp) release_components(ts);
}

/* The end of an interpreter's heap. What lives in it belongs to somebody who will give it back, or to nobody: the main interpreter
 * takes it over, at once when its GIL is held, else when somebody who holds it comes by. Until then the heap stays where it is. */
static void heap_leave(Interpreter *interp, bool main_gil_held)
{
    Interpreter *main = P->main_interpreter;
    bool empty = heap_live_blocks(&interp->heap) == 0;
    if (empty || (main_gil_held && main && main != interp && heap_adopt(main, interp))) {
        weakref_table_free(&interp->weakrefs);
        heap_destroy(&interp->heap);
        gc_destroy(&interp->gc);
        free(interp);
        return;
    }
    lists_lock();
    interp->runtime.next = P->ended;
    P->ended = interp;
    lists_unlock();
}

void interp_adopt_ended(void)
{
    Thread *t = thread_current;
    if (!__atomic_load_n(&P->ended, __ATOMIC_RELAXED) || !t || !interp_shares_main_gil(t->ts.interp)) return;
    lists_lock();
    Interpreter *list = P->ended;
    P->ended = NULL;
    lists_unlock();
    for (Interpreter *next; list; list = next) {
        next = list->runtime.next;
        heap_leave(list, true);
    }
}

/* The GIL is held that the interpreter shared, and still is afterwards. */
void PyInterpreterState_Delete(PyInterpreterState *interp)
{
    RuntimeState *r = &interp->runtime;
    Thread *current = thread_current;
    if (current && current->ts.interp == interp) thread_unbind_current();
    while (r->threads) thread_unlink_free(r->threads);
    lists_lock();
    for (Interpreter **p = &P->interpreters; *p; p = &(*p)->runtime.next)
        if (*p == interp) { *p = r->next; break; }
    if (P->main_interpreter == interp) P->main_interpreter = NULL;
    lists_unlock();
    PyConfig_Clear(&r->config);
    pthread_mutex_destroy(&r->import.mutex);
    pthread_cond_destroy(&r->import.released);
    pthread_mutex_destroy(&r->pending.mutex);
    free(r->atexit_entries);
    r->atexit_entries = NULL;
    heap_leave(interp, interp_shares_main_gil(interp));
}

PyInterpreterState *PyInterpreterState_Get(void)
{
    Thread *t = thread_current;
    if (!t) _Py_FatalErrorFunc(__func__, "the function must be called with the GIL held, after Python initialization "
                                         "and before Python finalization, but the GIL is released (the current Python "
                                         "thread state is NULL)");
    return t->ts.interp;
}

PyInterpreterState *PyInterpreterState_Main(void) { return P->main_interpreter; }
PyInterpreterState *PyInterpreterState_Head(void) { return P->interpreters; }
PyInterpreterState *PyInterpreterState_Next(PyInterpreterState *interp) { return interp->runtime.next; }
PyThreadState *PyInterpreterState_ThreadHead(PyInterpreterState *interp) { return interp->runtime.threads; }
PyThreadState *PyThreadState_Next(PyThreadState *ts) { return ts->next; }

int64_t PyInterpreterState_GetID(PyInterpreterState *interp)
{
    if (!interp) {
        PyErr_SetString(PyExc_RuntimeError, "no interpreter provided");
        return -1;
    }
    return interp->runtime.id;
}

PyObject *PyInterpreterState_GetDict(PyInterpreterState *interp)
{
    if (!interp->runtime.dict && !(interp->runtime.dict = PyDict_New())) PyErr_Clear();
    return interp->runtime.dict;
}

int _PyInterpreterState_RequiresIDRef(PyInterpreterState *interp) { return interp->runtime.require_idref; }
void _PyInterpreterState_RequireIDRef(PyInterpreterState *interp, int required) { interp->runtime.require_idref = !!required; }

PyObject *PyUnstable_InterpreterState_GetMainModule(PyInterpreterState *interp)
{
    if (!interp->runtime.modules) {
        PyErr_SetString(PyExc_RuntimeError, "interpreter not initialized");
        return NULL;
    }
    return PyMapping_GetItemString(interp->runtime.modules, "__main__");
}

_PyFrameEvalFunction _PyInterpreterState_GetEvalFrameFunc(PyInterpreterState *interp)
{
    return interp->runtime.eval_frame ? interp->runtime.eval_frame : _PyEval_EvalFrameDefault;
}

void _PyInterpreterState_SetEvalFrameFunc(PyInterpreterState *interp, _PyFrameEvalFunction function)
{
    interp->runtime.eval_frame = function == _PyEval_EvalFrameDefault ? NULL : function;
}

const PyConfig *interp_config(PyInterpreterState *interp) { return &interp->runtime.config; }

/* ---- thread states ---------------------------------------------------------------------------------------------- */

static void thread_init(Thread *t, Interpreter *interp)
{
    PyThreadState *ts = &t->ts;
    RuntimeState *r = &interp->runtime;
    ts->interp = interp;
    ts->_status.initialized = 1;
    ts->py_recursion_limit = ts->py_recursion_remaining = r->recursion_limit;
    ts->c_recursion_remaining = Py_C_RECURSION_LIMIT;
    ts->exc_info = &ts->exc_state;
    ts->gilstate_counter = 1;
    ts->what_event = -1;
    ts->context_ver = 1;
    ts->dict_global_version = 1;
    t->heap = &interp->heap;
    lists_lock();
    ts->id = r->next_thread_id++;
    ts->next = r->threads;
    if (r->threads) {
        r->threads->prev = ts;
        ts->eval_breaker = __atomic_load_n(&r->threads->eval_breaker, __ATOMIC_RELAXED) & ~(uintptr_t)EVAL_EVENTS_MASK;
    }
    r->threads = ts;
    lists_unlock();
}

/* A new state that belongs to no OS thread yet. NULL without exception: no memory. */
PyThreadState *thread_new(Interpreter *interp)
{
    Thread *t = calloc(1, sizeof *t);
    if (!t) return NULL;
    t->runtime.own_memory = true;
    thread_init(t, interp);
    return &t->ts;
}

/* What Py_C_RECURSION_LIMIT counts is meant for a stack of 8 MB: a smaller one bears fewer levels. Freeing a deep structure looks at
 * the count alone, and puts off what lies below it. */
enum { BYTES_OF_C_LEVEL = (8 << 20) / Py_C_RECURSION_LIMIT, C_LEVELS_MIN = Py_TRASHCAN_HEADROOM * 2 + 20 };

/* Ties ts to the calling OS thread: identity, stack bounds, and PyGILState when it has none yet. */
void thread_bind(PyThreadState *ts)
{
    Thread *t = (Thread *)ts;
    ts->thread_id = PyThread_get_thread_ident();
    ts->native_thread_id = PyThread_get_thread_native_id();
    stack_bounds(&t->stack_low, &t->stack_high);
    size_t levels = (t->stack_high - t->stack_low) / BYTES_OF_C_LEVEL;
    if (ts->c_recursion_remaining == Py_C_RECURSION_LIMIT && levels < Py_C_RECURSION_LIMIT)
        ts->c_recursion_remaining = levels < C_LEVELS_MIN ? C_LEVELS_MIN : (int)levels;
    ts->_status.bound = 1;
    if (!thread_gilstate) {
        thread_gilstate = ts;
        ts->_status.bound_gilstate = 1;
    }
}

/* PyGILState is about the state that was attached last. */
void gilstate_follow(PyThreadState *ts)
{
    if (thread_gilstate == ts) return;
    thread_gilstate = ts;
    ts->_status.bound_gilstate = 1;
}

PyThreadState *PyThreadState_New(PyInterpreterState *interp)
{
    PyThreadState *ts = thread_new(interp);
    if (ts) thread_bind(ts);
    return ts;
}

void _PyThreadState_Init(PyThreadState *Py_UNUSED(ts)) { _Py_FatalErrorFunc(__func__, "_PyThreadState_Init() is for internal use only"); }

/* Ends PyThreadState_Clear's part: references only. The state stays linked. */
void PyThreadState_Clear(PyThreadState *ts)
{
    if (ts->_status.cleared) return;
    if (thread_current && thread_current->ts.interp == ts->interp) thread_release_on_exit(ts);
    ts->_status.finalizing = 1;
    int verbose = ts->interp->runtime.config.verbose;
    if (verbose && ts->current_frame) fprintf(stderr, "PyThreadState_Clear: warning: thread still has a frame\n");
    Py_CLEAR(ts->threading_local_key);
    Py_CLEAR(ts->threading_local_sentinel);
    Py_CLEAR(ts->dict);
    Py_CLEAR(ts->async_exc);
    Py_CLEAR(ts->current_exception);
    Py_CLEAR(ts->exc_state.exc_value);
    if (verbose && ts->exc_info != &ts->exc_state)
        fprintf(stderr, "PyThreadState_Clear: warning: thread still has a generator\n");
    trace_forget_thread(ts);
    Py_CLEAR(ts->async_gen_firstiter);
    Py_CLEAR(ts->async_gen_finalizer);
    Py_CLEAR(ts->context);
    if (ts->delete_later) _PyTrash_thread_destroy_chain(ts);
    ts->_status.cleared = 1;
}

/* Unlinks and frees. Nothing may refer to it any more, the thread that runs it aside. */
void thread_unlink_free(PyThreadState *ts)
{
    RuntimeState *r = &ts->interp->runtime;
    lists_lock();
    if (ts->prev) ts->prev->next = ts->next;
    else r->threads = ts->next;
    if (ts->next) ts->next->prev = ts->prev;
    lists_unlock();
    if (thread_gilstate == ts) thread_gilstate = NULL;
    if (thread_current == (Thread *)ts) thread_current = NULL;
    if (ts->interp->runtime.gil) gil_forget_holder(ts->interp->runtime.gil, ts);
    frame_stack_free(ts);
    if (((Thread *)ts)->runtime.own_memory) free(ts);
}

void PyThreadState_Delete(PyThreadState *ts)
{
    if ((Thread *)ts == thread_current) runtime_fatal_pointer(__func__, "tstate %p is still current", ts);
    if (!ts->_status.cleared) PyThreadState_Clear(ts);
    thread_unlink_free(ts);
}

void PyThreadState_DeleteCurrent(void)
{
    PyThreadState *ts = PyThreadState_Get();
    Gil *gil = ts->interp->runtime.gil;
    thread_current = NULL;
    thread_unlink_free(ts);
    gil_release_anonymous(gil);
}

/* After fork, or at the end: every thread of interp but ts. Returns nothing; the list is spliced out under the lock and
 * freed outside it, since clearing runs code. */
void threads_delete_except(PyThreadState *keep)
{
    RuntimeState *r = &keep->interp->runtime;
    lists_lock();
    PyThreadState *list = r->threads;
    if (list == keep) list = keep->next;
    if (keep->prev) keep->prev->next = keep->next;
    if (keep->next) keep->next->prev = keep->prev;
    keep->prev = keep->next = NULL;
    r->threads = keep;
    lists_unlock();
    for (PyThreadState *next; list; list = next) {
        next = list->next;
        PyThreadState_Clear(list);
        frame_stack_free(list);
        if (((Thread *)list)->runtime.own_memory) free(list);
    }
}

PyThreadState *PyThreadState_GetUnchecked(void) { return (PyThreadState *)thread_current; }

PyThreadState *PyThreadState_Get(void)
{
    Thread *t = thread_current;
    if (UNLIKELY(!t))
        _Py_FatalErrorFunc(__func__, "the function must be called with the GIL held, after Python initialization and "
                                     "before Python finalization, but the GIL is released (the current Python thread "
                                     "state is NULL)");
    return &t->ts;
}

void thread_unbind_current(void)
{
    Thread *t = thread_current;
    if (!t) return;
    thread_current = NULL;
    t->ts._status.active = t->ts._status.holds_gil = 0;
}

PyThreadState *PyThreadState_Swap(PyThreadState *ts)
{
    PyThreadState *old = (PyThreadState *)thread_current;
    if (old == ts) return old;
    if (old && ts && old->interp->runtime.gil == ts->interp->runtime.gil) {     /* same GIL: no hand-over */
        gil_change_holder(old, ts);
        thread_current = (Thread *)ts;
        if (!ts->_status.bound) thread_bind(ts);
        gilstate_follow(ts);
        return old;
    }
    int saved = errno;
    if (old) thread_detach(old);
    if (ts) thread_attach(ts);
    errno = saved;
    return old;
}

PyObject *PyThreadState_GetDict(void)
{
    Thread *t = thread_current;
    if (!t) return NULL;
    if (!t->ts.dict && !(t->ts.dict = PyDict_New())) PyErr_Clear();
    return t->ts.dict;
}

int PyThreadState_SetAsyncExc(unsigned long id, PyObject *exception)
{
    Interpreter *interp = interp_get();
    lists_lock();
    for (PyThreadState *ts = interp->runtime.threads; ts; ts = ts->next) {
        if (ts->thread_id != id) continue;
        PyObject *old = ts->async_exc;
        ts->async_exc = Py_XNewRef(exception);
        lists_unlock();
        Py_XDECREF(old);
        eval_breaker_set(ts, EVAL_ASYNC_EXCEPTION);
        return 1;
    }
    lists_unlock();
    return 0;
}

PyInterpreterState *PyThreadState_GetInterpreter(PyThreadState *ts) { return ts->interp; }
uint64_t PyThreadState_GetID(PyThreadState *ts) { return ts->id; }

void PyThreadState_EnterTracing(PyThreadState *ts) { ts->tracing++; }
void PyThreadState_LeaveTracing(PyThreadState *ts) { ts->tracing--; }

/* Thread id -> that thread's frame, for every interpreter. */
PyObject *_PyThread_CurrentFrames(void)
{
    if (PySys_Audit("sys._current_frames", NULL) < 0) return NULL;
    PyObject *result = PyDict_New();
    if (!result) return NULL;
    /* No Python code runs below (plain int keys), so nobody else may change the lists while we hold the GIL; the lock
     * must not be held across allocations, which may start a collection. */
    for (Interpreter *interp = P->interpreters; interp; interp = interp->runtime.next) {
        for (PyThreadState *ts = interp->runtime.threads; ts; ts = ts->next) {
            PyFrameObject *frame = PyThreadState_GetFrame(ts);
            if (!frame) {
                if (PyErr_Occurred()) goto error;
                continue;
            }
            PyObject *id = PyLong_FromUnsignedLong(ts->thread_id);
            int status = id ? PyDict_SetItem(result, id, (PyObject *)frame) : -1;
            Py_XDECREF(id);
            Py_DECREF(frame);
            if (status < 0) goto error;
        }
    }
    return result;
error:
    Py_DECREF(result);
    return NULL;
}

PyObject *thread_current_exceptions(void)
{
    if (PySys_Audit("sys._current_exceptions", NULL) < 0) return NULL;
    PyObject *result = PyDict_New();
    if (!result) return NULL;
    for (Interpreter *interp = P->interpreters; interp; interp = interp->runtime.next) {
        for (PyThreadState *ts = interp->runtime.threads; ts; ts = ts->next) {
            _PyErr_StackItem *item = ts->exc_info;
            while ((!item->exc_value || item->exc_value == Py_None) && item->previous_item) item = item->previous_item;
            PyObject *id = PyLong_FromUnsignedLong(ts->thread_id);
            int status = id ? PyDict_SetItem(result, id, item->exc_value ? item->exc_value : Py_None) : -1;
            Py_XDECREF(id);
            if (status < 0) {
                Py_DECREF(result);
                return NULL;
            }
        }
    }
    return result;
}

/* ---- PyGILState ------------------------------------------------------------------------------------------------- */

PyThreadState *PyGILState_GetThisThreadState(void) { return thread_gilstate; }

int PyGILState_Check(void)
{
    PyThreadState *ts = (PyThreadState *)thread_current;
    if (!P->core_initialized) return 1;
    if (!ts) return 0;
    return !thread_gilstate || thread_gilstate == ts;
}

PyGILState_STATE PyGILState_Ensure(void)
{
    PyThreadState *ts = thread_gilstate;
    bool has_gil = false;
    if (!P->main_interpreter) _Py_FatalErrorFunc(__func__, "the Python runtime is not initialized");
    if (!ts) {
        ts = thread_new(P->main_interpreter);
        if (!ts) _Py_FatalErrorFunc(__func__, "Couldn't create thread-state for new thread");
        thread_bind(ts);
        ts->gilstate_counter = 0;
    }
    else has_gil = (PyThreadState *)thread_current == ts;
    if (!has_gil) PyEval_RestoreThread(ts);
    ts->gilstate_counter++;
    return has_gil ? PyGILState_LOCKED : PyGILState_UNLOCKED;
}

void PyGILState_Release(PyGILState_STATE old)
{
    PyThreadState *ts = thread_gilstate;
    if (!ts) _Py_FatalErrorFunc(__func__, "auto-releasing thread-state, but no thread-state for this thread");
    if ((PyThreadState *)thread_current != ts)
        runtime_fatal_pointer(__func__, "thread state %p must be current when releasing", ts);
    if (--ts->gilstate_counter == 0) {
        ts->gilstate_counter++;             /* destructors that run below may use PyGILState */
        PyThreadState_Clear(ts);
        ts->gilstate_counter--;
        PyThreadState_DeleteCurrent();
    }
    else if (old == PyGILState_UNLOCKED) PyEval_SaveThread();
}

void gilstate_forget(void) { thread_gilstate = NULL; }
