/* What the files of _asyncio share: the module's state and the layouts of Future and Task.
 *
 * A Task is a Future with a coroutine that is advanced a step at a time by callbacks of the event loop. Calls into a loop, a
 * subclass or a comparison can run any code, which may change the very object: fields are taken out before such a call. */
#ifndef TAIPAN_ASYNCIO_PRIVATE_H
#define TAIPAN_ASYNCIO_PRIVATE_H

#include "runtime/state.h"
#include "capi/args.h"
#include "modules/support.h"

typedef struct AsyncioState {
    PyTypeObject *future, *task, *iterator, *step_wrapper;
    PyObject *running_loop;              /* BORROWED from the dict of the thread below: the loop that runs in it, or None */
    uint64_t running_thread;
    PyObject *get_event_loop_policy, *iscoroutine, *future_repr, *task_repr, *task_get_stack, *task_print_stack, *extract_stack;
    PyObject *InvalidStateError, *CancelledError;
    PyObject *scheduled_tasks;           /* WeakSet */
    PyObject *scheduled_refs, *scheduled_pending, *scheduled_remove;   /* its data, _pending_removals and _remove */
    PyObject *eager_tasks;               /* set */
    PyObject *current_tasks;             /* dict: loop -> task */
    PyObject *coroutine_types;           /* set of types that iscoroutine() said yes to */
    PyObject *context_keyword;           /* ("context",) */
    uint64_t tasks_named;
} AsyncioState;

typedef enum FutureStatus { FUTURE_PENDING, FUTURE_CANCELLED, FUTURE_FINISHED } FutureStatus;

/* Alive once loop is set, which __init__ does. */
#define FUTURE_HEAD                                                                                                       \
    PyObject_HEAD                                                                                                         \
    PyObject *loop;                                                                                                       \
    PyObject *callback, *callback_context;      /* the first callback */                                                  \
    PyObject *callbacks;                        /* list of (callback, context): the others, or NULL */                    \
    PyObject *exception, *exception_tb, *result, *source_traceback, *cancel_message, *cancelled_error;                    \
    FutureStatus status;                                                                                                  \
    bool log_traceback, blocking;

typedef struct Future { FUTURE_HEAD } Future;

typedef struct Task {
    FUTURE_HEAD
    PyObject *waiting_for, *coroutine;
    PyObject *name;                             /* a str, or an int n that stands for "Task-n" */
    PyObject *context;
    bool must_cancel, log_destroy_pending;
    int cancels_requested;
} Task;

typedef struct FutureIter { PyObject_HEAD Future *future; } FutureIter;
typedef struct StepWrapper { PyObject_HEAD Task *task; PyObject *argument; } StepWrapper;

#define FUTURE(o) ((Future *)(o))
#define TASK(o)   ((Task *)(o))

extern struct PyModuleDef asyncio_module;
extern PyType_Spec future_spec, future_iter_spec, task_spec, step_wrapper_spec;

static inline AsyncioState *asyncio_state_of(PyObject *self)
{
    return PyModule_GetState(PyType_GetModuleByDef(Py_TYPE(self), &asyncio_module));
}

/* An instance of exactly Future or Task: its fields may be used without asking its methods. */
static inline bool is_exact_future(AsyncioState *s, PyObject *o) { return Py_IS_TYPE(o, s->future) || Py_IS_TYPE(o, s->task); }

/* future.c */
int future_init(AsyncioState *s, Future *f, PyObject *loop);
int future_set_result(AsyncioState *s, Future *f, PyObject *result);
int future_set_exception(AsyncioState *s, Future *f, PyObject *exception);
int future_cancel(AsyncioState *s, Future *f, PyObject *message);        /* 1: cancelled, 0: was done, -1 */
int future_add_callback(AsyncioState *s, Future *f, PyObject *callback, PyObject *context);
/* 0: *result is the result, 1: *result is the exception, -1: not done or cancelled, raised. */
int future_take_result(AsyncioState *s, Future *f, PyObject **result);
PyObject *future_cancelled_error(AsyncioState *s, Future *f);            /* NEW CancelledError */
int future_traverse(PyObject *self, visitproc visit, void *arg);
int future_clear(PyObject *self);
void future_finalize(PyObject *self);
void future_dealloc_with(PyObject *self, destructor own, inquiry clear);
PyObject *future_new_iterator(PyObject *self);
PyObject *future_loop_of(AsyncioState *s, PyObject *o);                  /* of anything that is like a Future */
int loop_call_soon(AsyncioState *s, PyObject *loop, PyObject *callback, PyObject *argument, PyObject *context);
int loop_report(PyObject *loop, const char *subject_name, PyObject *subject, PyObject *message, PyObject *exception,
                PyObject *source_traceback);
/* module.c */
PyObject *asyncio_event_loop(AsyncioState *s);
int asyncio_register_task(AsyncioState *s, PyObject *task);
int asyncio_enter_task(AsyncioState *s, PyObject *loop, PyObject *task);
int asyncio_leave_task(AsyncioState *s, PyObject *loop, PyObject *task);
PyObject *asyncio_swap_task(AsyncioState *s, PyObject *loop, PyObject *task);

/* Raises again what was raised before: with the newer exception on top when there is one. Steals. */
static inline void error_chain(PyObject *earlier)
{
    PyObject *later = PyErr_GetRaisedException();
    if (!later) {
        PyErr_SetRaisedException(earlier);
        return;
    }
    if (later != earlier) PyException_SetContext(later, earlier);
    else Py_DECREF(earlier);
    PyErr_SetRaisedException(later);
}

#endif
