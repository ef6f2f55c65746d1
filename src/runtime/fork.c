/* fork: hooks before and after, and what the child has to mend: it has one thread, whose locks it must not inherit held. */
#include "runtime/state.h"
#include "runtime/runtime_private.h"

#define P (&_PyRuntime.runtime)

static int hooks_add(PyObject **list, PyObject *function)
{
    if (!function) return 0;
    if (!*list && !(*list = PyList_New(0))) return -1;
    return PyList_Append(*list, function);
}

int runtime_register_at_fork(PyObject *before, PyObject *in_child, PyObject *in_parent)
{
    RuntimeState *r = &interp_get()->runtime;
    return hooks_add(&r->fork_before, before) < 0 || hooks_add(&r->fork_child, in_child) < 0 ||
           hooks_add(&r->fork_parent, in_parent) < 0 ? -1 : 0;
}

/* Each once, errors reported and ignored. Over a copy: a hook may register another. */
static void hooks_run(PyObject *list, bool reverse)
{
    if (!list) return;
    PyObject *saved = PyErr_GetRaisedException(), *copy = PyList_GetSlice(list, 0, PyList_GET_SIZE(list));
    if (!copy) PyErr_FormatUnraisable("Exception ignored in fork hook");
    Py_ssize_t count = copy ? PyList_GET_SIZE(copy) : 0;
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *hook = PyList_GET_ITEM(copy, reverse ? count - 1 - i : i), *result = PyObject_CallNoArgs(hook);
        if (!result) PyErr_FormatUnraisable("Exception ignored in fork hook %R", hook);
        Py_XDECREF(result);
    }
    Py_XDECREF(copy);
    PyErr_SetRaisedException(saved);
}

void PyOS_BeforeFork(void)
{
    PyThreadState *ts = PyThreadState_Get();
    hooks_run(ts->interp->runtime.fork_before, true);
    import_lock_acquire();
    pthread_mutex_lock(&P->lists);
    pthread_mutex_lock(&P->shared);
}

void PyOS_AfterFork_Parent(void)
{
    pthread_mutex_unlock(&P->shared);
    pthread_mutex_unlock(&P->lists);
    import_lock_release();
    hooks_run(interp_get()->runtime.fork_parent, false);
}

void PyOS_AfterFork_Child(void)
{
    PyThreadState *ts = PyThreadState_Get();
    gil_after_fork_child(ts);
    ts->thread_id = PyThread_get_thread_ident();
    ts->native_thread_id = PyThread_get_thread_native_id();
    if (ts->interp == P->main_interpreter) {
        P->main_thread = ts->thread_id;
        P->main_thread_state = ts;
    }
    import_after_fork_child();
    import_lock_release();
    signals_clear();
    readline_after_fork_child(ts);
    thread_handles_after_fork(ts);
    threads_delete_except(ts);
    hooks_run(ts->interp->runtime.fork_child, false);
}

void PyOS_AfterFork(void) { PyOS_AfterFork_Child(); }
