/* Task: runs a coroutine. Each step sends None into it (or throws an exception) and then waits for the Future that came out: the
 * Future's callback, TaskWakeup, makes the next step. */
#include "asyncio_private.h"

static PyObject *task_step(AsyncioState *s, Task *task, PyObject *exception);

/* ---- callbacks ---------------------------------------------------------------------------------------------------------------- */

static PyObject *wrapper_call(PyObject *self, PyObject *args, PyObject *kwargs)
{
    StepWrapper *w = (StepWrapper *)self;
    if (kwargs && PyDict_GET_SIZE(kwargs)) return PyErr_Format(PyExc_TypeError, "function takes no keyword arguments");
    if (args && PyTuple_GET_SIZE(args)) return PyErr_Format(PyExc_TypeError, "function takes no positional arguments");
    return task_step(asyncio_state_of((PyObject *)w->task), w->task, w->argument);
}

static PyObject *wrapper_self(PyObject *self, void *unused)
{
    Task *task = ((StepWrapper *)self)->task;
    return Py_NewRef(task ? (PyObject *)task : Py_None);
}

static int wrapper_traverse(PyObject *self, visitproc visit, void *arg)
{
    VISIT_TYPE(self);
    Py_VISIT(((StepWrapper *)self)->task);
    Py_VISIT(((StepWrapper *)self)->argument);
    return 0;
}

static int wrapper_clear(PyObject *self)
{
    Py_CLEAR(((StepWrapper *)self)->task);
    Py_CLEAR(((StepWrapper *)self)->argument);
    return 0;
}

static void wrapper_dealloc(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    wrapper_clear(self);
    free_instance(self);
}

static PyGetSetDef wrapper_getset[] = { { "__self__", wrapper_self }, {0} };

static PyType_Slot wrapper_slots[] = {
    SLOT(tp_getset, wrapper_getset), SLOT(tp_dealloc, wrapper_dealloc), SLOT(tp_call, wrapper_call), SLOT(tp_traverse, wrapper_traverse),
    SLOT(tp_clear, wrapper_clear), {0},
};

PyType_Spec step_wrapper_spec = {
    .name = "_asyncio.TaskStepMethWrapper", .basicsize = sizeof(StepWrapper), .slots = wrapper_slots,
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE,
};

/* exception: what the step will throw into the coroutine, or NULL. */
static int call_step_soon(AsyncioState *s, Task *task, PyObject *exception)
{
    StepWrapper *w = PyObject_GC_New(StepWrapper, s->step_wrapper);
    if (!w) return -1;
    w->task = TASK(Py_NewRef(task));
    w->argument = Py_XNewRef(exception);
    PyObject_GC_Track(w);
    int status = loop_call_soon(s, task->loop, (PyObject *)w, NULL, task->context);
    Py_DECREF(w);
    return status;
}

static PyObject *task_wakeup(PyObject *self, PyObject *future)
{
    Task *task = TASK(self);
    AsyncioState *s = asyncio_state_of(self);
    PyObject *result = NULL;
    int status;
    if (is_exact_future(s, future)) {
        status = future_take_result(s, FUTURE(future), &result);
    } else {
        result = PyObject_CallMethodNoArgs(future, STR(result));
        status = result ? 0 : -1;
    }
    PyObject *exception = status == 0 ? NULL : status == 1 ? result : PyErr_GetRaisedException();
    PyObject *done = task_step(s, task, exception);
    Py_XDECREF(status == 0 ? result : exception);
    return done;
}

static PyMethodDef wakeup_method = { "TaskWakeup", task_wakeup, METH_O, NULL };

/* ---- a step ------------------------------------------------------------------------------------------------------------------------ */

/* Throws a RuntimeError into the coroutine, in the loop's next round. */
static int set_error_soon(AsyncioState *s, Task *task, PyObject *text)
{
    PyObject *error = text ? PyObject_CallOneArg(PyExc_RuntimeError, text) : NULL;
    int status = error ? call_step_soon(s, task, error) : -1;
    Py_XDECREF(error);
    Py_XDECREF(text);
    return status;
}

/* A cancellation that came while the coroutine ran goes to what it now waits for. */
static int pass_cancellation_on(Task *task, PyObject *future)
{
    if (LIKELY(!task->must_cancel)) return 0;
    PyObject *message = Py_NewRef(task->cancel_message ? task->cancel_message : Py_None);
    PyObject *answer = PyObject_CallMethodOneArg(future, STR(cancel), message);
    int cancelled = answer ? PyObject_IsTrue(answer) : -1;
    Py_DECREF(message);
    Py_XDECREF(answer);
    if (cancelled > 0) task->must_cancel = false;
    return cancelled < 0 ? -1 : 0;
}

static int add_wakeup(AsyncioState *s, Task *task, PyObject *future, bool exact)
{
    PyObject *wakeup = PyCFunction_New(&wakeup_method, (PyObject *)task);
    if (!wakeup) return -1;
    int status;
    if (exact) {
        status = future_add_callback(s, FUTURE(future), wakeup, task->context);
    } else {
        PyObject *stack[3] = { future, wakeup, task->context };
        PyObject *added = PyObject_VectorcallMethod(STR(add_done_callback), stack, 2 | PY_VECTORCALL_ARGUMENTS_OFFSET, s->context_keyword);
        status = added ? 0 : -1;
        Py_XDECREF(added);
    }
    Py_DECREF(wakeup);
    if (status < 0) return -1;
    SET_FIELD(task->waiting_for, Py_NewRef(future));
    return pass_cancellation_on(task, future);
}

static int wrong_loop(AsyncioState *s, Task *task, PyObject *future)
{
    return set_error_soon(s, task, PyUnicode_FromFormat("Task %R got Future %R attached to a different loop", task, future));
}

static int not_awaited(AsyncioState *s, Task *task, PyObject *future)
{
    return set_error_soon(s, task, PyUnicode_FromFormat("yield was used instead of yield from in task %R with %R", task, future));
}

/* Something with the attribute _asyncio_future_blocking: a future in all but type. */
static int wait_for_like(AsyncioState *s, Task *task, PyObject *future, PyObject *blocking)
{
    int is_blocking = PyObject_IsTrue(blocking);
    if (is_blocking < 0) return -1;
    PyObject *loop = future_loop_of(s, future);
    if (!loop) return -1;
    Py_DECREF(loop);
    if (loop != task->loop) return wrong_loop(s, task, future);
    if (!is_blocking) return not_awaited(s, task, future);
    if (PyObject_SetAttr(future, STR(_asyncio_future_blocking), Py_False) < 0) return -1;
    return add_wakeup(s, task, future, false);
}

/* What the coroutine yielded. */
static int handle_yielded(AsyncioState *s, Task *task, PyObject *yielded)
{
    if (yielded == (PyObject *)task) return set_error_soon(s, task, PyUnicode_FromFormat("Task cannot await on itself: %R", task));
    if (is_exact_future(s, yielded)) {
        Future *f = FUTURE(yielded);
        if (f->loop != task->loop) return wrong_loop(s, task, yielded);
        if (!f->blocking) return not_awaited(s, task, yielded);
        f->blocking = false;
        return add_wakeup(s, task, yielded, true);
    }
    if (yielded == Py_None) return call_step_soon(s, task, NULL);
    PyObject *blocking;
    if (PyObject_GetOptionalAttr(yielded, STR(_asyncio_future_blocking), &blocking) < 0) return -1;
    if (blocking && blocking != Py_None) {
        int status = wait_for_like(s, task, yielded, blocking);
        Py_DECREF(blocking);
        return status;
    }
    Py_XDECREF(blocking);
    int is_generator = PyObject_IsInstance(yielded, (PyObject *)&PyGen_Type);
    if (is_generator < 0) return -1;
    return set_error_soon(s, task, is_generator ? PyUnicode_FromFormat("yield was used instead of yield from for generator in task %R with %R",
                                                                       task, yielded)
                                                : PyUnicode_FromFormat("Task got bad yield: %R", yielded));
}

static int finish_with_result(AsyncioState *s, Task *task, PyObject *result)
{
    if (LIKELY(!task->must_cancel)) return future_set_result(s, FUTURE(task), result);
    task->must_cancel = false;
    PyObject *message = Py_XNewRef(task->cancel_message);
    int status = future_cancel(s, FUTURE(task), message);
    Py_XDECREF(message);
    return status < 0 ? -1 : 0;
}

/* The coroutine ended with an exception, which is raised. KeyboardInterrupt and SystemExit go on to the loop. */
static int finish_with_exception(AsyncioState *s, Task *task)
{
    if (PyErr_ExceptionMatches(s->CancelledError)) {
        SET_FIELD(task->cancelled_error, PyErr_GetRaisedException());
        return future_cancel(s, FUTURE(task), NULL) < 0 ? -1 : 0;
    }
    PyObject *exception = PyErr_GetRaisedException();
    int status = future_set_exception(s, FUTURE(task), exception);
    if (status == 0 && (PyErr_GivenExceptionMatches(exception, PyExc_KeyboardInterrupt) ||
                        PyErr_GivenExceptionMatches(exception, PyExc_SystemExit))) {
        PyErr_SetRaisedException(exception);
        return -1;
    }
    Py_DECREF(exception);
    return status;
}

static PySendResult throw_into(PyObject *coroutine, PyObject *exception, PyObject **result)
{
    *result = PyObject_CallMethodOneArg(coroutine, STR(throw), exception);
    if (*result) return PYGEN_NEXT;
    if (!PyErr_Occurred()) {
        *result = Py_NewRef(Py_None);
        return PYGEN_RETURN;
    }
    if (!PyErr_ExceptionMatches(PyExc_StopIteration)) return PYGEN_ERROR;
    PyObject *stop = PyErr_GetRaisedException();
    PyObject *value = ((PyStopIterationObject *)stop)->value;
    *result = Py_NewRef(value ? value : Py_None);
    Py_DECREF(stop);
    return PYGEN_RETURN;
}

/* NEW: what to throw, NULL without exception for nothing. */
static PyObject *exception_to_throw(AsyncioState *s, Task *task, PyObject *exception)
{
    if (LIKELY(!task->must_cancel)) return Py_XNewRef(exception);
    int is_cancelled = exception ? PyObject_IsInstance(exception, s->CancelledError) : 0;
    if (is_cancelled < 0) return NULL;
    exception = is_cancelled ? Py_NewRef(exception) : future_cancelled_error(s, FUTURE(task));
    if (exception) task->must_cancel = false;
    return exception;
}

static int run_step(AsyncioState *s, Task *task, PyObject *exception)
{
    if (task->status != FUTURE_PENDING) {
        PyErr_Format(s->InvalidStateError, "_step(): already done: %R %R", task, exception ? exception : Py_None);
        return -1;
    }
    exception = exception_to_throw(s, task, exception);
    if (!exception && PyErr_Occurred()) return -1;
    Py_CLEAR(task->waiting_for);
    if (!task->coroutine) {
        Py_XDECREF(exception);
        PyErr_SetString(PyExc_RuntimeError, "uninitialized Task object");
        return -1;
    }
    PyObject *coroutine = Py_NewRef(task->coroutine), *result = NULL;
    PySendResult sent = exception ? throw_into(coroutine, exception, &result) : PyIter_Send(coroutine, Py_None, &result);
    Py_XDECREF(exception);
    Py_DECREF(coroutine);
    int status = sent == PYGEN_ERROR    ? finish_with_exception(s, task)
                 : sent == PYGEN_RETURN ? finish_with_result(s, task, result)
                                        : handle_yielded(s, task, result);
    Py_XDECREF(result);
    return status;
}

static PyObject *task_step(AsyncioState *s, Task *task, PyObject *exception)
{
    if (asyncio_enter_task(s, task->loop, (PyObject *)task) < 0) return NULL;
    Py_INCREF(task);
    PyObject *loop = Py_NewRef(task->loop);
    int status = run_step(s, task, exception);
    if (status < 0) {
        PyObject *raised = PyErr_GetRaisedException();
        asyncio_leave_task(s, loop, (PyObject *)task);
        error_chain(raised);
    } else {
        status = asyncio_leave_task(s, loop, (PyObject *)task);
    }
    Py_DECREF(loop);
    Py_DECREF(task);
    if (status < 0) return NULL;
    Py_RETURN_NONE;
}

/* The first step at once, as part of the task that creates this one. */
static int eager_start(AsyncioState *s, Task *task)
{
    PyObject *self = (PyObject *)task, *previous = asyncio_swap_task(s, task->loop, self);
    if (!previous) return -1;
    if (PySet_Add(s->eager_tasks, self) < 0 || PyContext_Enter(task->context) < 0) {
        Py_DECREF(previous);
        return -1;
    }
    int status = run_step(s, task, NULL);
    PyObject *raised = PyErr_GetRaisedException();
    PyObject *current = asyncio_swap_task(s, task->loop, previous);
    Py_DECREF(previous);
    if (!current) status = -1;
    Py_XDECREF(current);
    if (PySet_Discard(s->eager_tasks, self) < 0 || PyContext_Exit(task->context) < 0) status = -1;
    if (raised) error_chain(raised);
    if (task->status != FUTURE_PENDING) Py_CLEAR(task->coroutine);
    else if (asyncio_register_task(s, self) < 0) status = -1;
    return status;
}

/* ---- construction --------------------------------------------------------------------------------------------------------------------- */

/* Types that asyncio.coroutines.iscoroutine() accepted are remembered, up to a number. */
static int is_coroutine(AsyncioState *s, PyObject *o)
{
    enum { TYPES_MAX = 100 };
    if (LIKELY(PyCoro_CheckExact(o))) return 1;
    int known = PySet_Contains(s->coroutine_types, (PyObject *)Py_TYPE(o));
    if (known) return known;
    PyObject *answer = PyObject_CallOneArg(s->iscoroutine, o);
    int is = answer ? PyObject_IsTrue(answer) : -1;
    Py_XDECREF(answer);
    if (is > 0 && PySet_GET_SIZE(s->coroutine_types) < TYPES_MAX && PySet_Add(s->coroutine_types, (PyObject *)Py_TYPE(o)) < 0) return -1;
    return is;
}

SIGNATURE(task_signature, "Task", KEYWORDS, "(coro, *, loop=None, name=None, context=None, eager_start=False)");

static int task_tp_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    PyObject *arg[5];
    Task *task = TASK(self);
    AsyncioState *s = asyncio_state_of(self);
    if (args_bind_tuple(&task_signature, args, kwargs, arg) < 0) return -1;
    PyObject *coroutine = arg[0], *name = arg[2], *context = arg[3];
    int eager = arg[4] ? PyObject_IsTrue(arg[4]) : 0;
    if (eager < 0 || future_init(s, FUTURE(self), arg[1]) < 0) return -1;
    int accepted = is_coroutine(s, coroutine);
    if (accepted < 0) return -1;
    if (!accepted) {
        task->log_destroy_pending = false;
        PyErr_Format(PyExc_TypeError, "a coroutine was expected, got %R", coroutine);
        return -1;
    }
    context = context && context != Py_None ? Py_NewRef(context) : PyContext_CopyCurrent();
    if (!context) return -1;
    SET_FIELD(task->context, context);
    Py_CLEAR(task->waiting_for);
    task->must_cancel = false;
    task->log_destroy_pending = true;
    task->cancels_requested = 0;
    SET_FIELD(task->coroutine, Py_NewRef(coroutine));
    name = !name || name == Py_None     ? PyLong_FromUnsignedLongLong(++s->tasks_named)
           : PyUnicode_CheckExact(name) ? Py_NewRef(name)
                                        : PyObject_Str(name);
    if (!name) return -1;
    SET_FIELD(task->name, name);
    if (eager) {
        PyObject *answer = PyObject_CallMethod(task->loop, "is_running", NULL);
        int running = answer ? PyObject_IsTrue(answer) : -1;
        Py_XDECREF(answer);
        if (running) return running < 0 ? -1 : eager_start(s, task);
    }
    return call_step_soon(s, task, NULL) < 0 ? -1 : asyncio_register_task(s, self);
}

/* ---- methods ------------------------------------------------------------------------------------------------------------------------------ */

BUILTIN_O(Task, set_result, "($self, result, /)", "")
{
    return PyErr_Format(PyExc_RuntimeError, "Task does not support set_result operation");
}

BUILTIN_O(Task, set_exception, "($self, exception, /)", "")
{
    return PyErr_Format(PyExc_RuntimeError, "Task does not support set_exception operation");
}

BUILTIN(Task, cancel, KEYWORDS, "($self, /, msg=None)",
        "Request that CancelledError be thrown into the coroutine at its next step. It may catch it and go on.\n"
        "False when the task is done.")
{
    Task *task = TASK(self);
    PyObject *message = arg[0] ? arg[0] : Py_None;
    task->log_traceback = false;
    if (task->status != FUTURE_PENDING) Py_RETURN_FALSE;
    task->cancels_requested++;
    if (task->waiting_for) {
        PyObject *future = Py_NewRef(task->waiting_for), *answer = PyObject_CallMethodOneArg(future, STR(cancel), message);
        Py_DECREF(future);
        int cancelled = answer ? PyObject_IsTrue(answer) : -1;
        Py_XDECREF(answer);
        if (cancelled) return cancelled < 0 ? NULL : Py_NewRef(Py_True);
    }
    task->must_cancel = true;
    SET_FIELD(task->cancel_message, Py_NewRef(message));
    Py_RETURN_TRUE;
}

BUILTIN_NOARGS(Task, cancelling, "($self, /)", "How many cancellations were requested and not taken back.")
{
    return PyLong_FromLong(TASK(self)->cancels_requested);
}

BUILTIN_NOARGS(Task, uncancel, "($self, /)", "Take back one request for cancellation; the number of those left.")
{
    Task *task = TASK(self);
    if (task->cancels_requested > 0 && --task->cancels_requested == 0) task->must_cancel = false;
    return PyLong_FromLong(task->cancels_requested);
}

BUILTIN(Task, get_stack, KEYWORDS, "($self, /, *, limit=None)",
        "The frames of the coroutine: where it is suspended, or those of its traceback when it failed; oldest first, limit at most.")
{
    return PyObject_CallFunctionObjArgs(asyncio_state_of(self)->task_get_stack, self, arg[0] ? arg[0] : Py_None, NULL);
}

BUILTIN(Task, print_stack, KEYWORDS, "($self, /, *, limit=None, file=None)", "Print the frames of get_stack() as a traceback, to stderr or a file.")
{
    return PyObject_CallFunctionObjArgs(asyncio_state_of(self)->task_print_stack, self, arg[0] ? arg[0] : Py_None,
                                        arg[1] ? arg[1] : Py_None, NULL);
}

BUILTIN_NOARGS(Task, get_name, "($self, /)", "")
{
    Task *task = TASK(self);
    if (!task->name) Py_RETURN_NONE;
    if (PyLong_CheckExact(task->name)) {
        PyObject *name = PyUnicode_FromFormat("Task-%S", task->name);
        if (!name) return NULL;
        SET_FIELD(task->name, name);
    }
    return Py_NewRef(task->name);
}

BUILTIN_O(Task, set_name, "($self, value, /)", "")
{
    PyObject *name = PyUnicode_CheckExact(arg) ? Py_NewRef(arg) : PyObject_Str(arg);
    if (!name) return NULL;
    SET_FIELD(TASK(self)->name, name);
    Py_RETURN_NONE;
}

static PyObject *or_none(PyObject *o) { return Py_NewRef(o ? o : Py_None); }

BUILTIN_NOARGS(Task, get_coro, "($self, /)", "") { return or_none(TASK(self)->coroutine); }
BUILTIN_NOARGS(Task, get_context, "($self, /)", "") { return or_none(TASK(self)->context); }

static PyObject *task_repr(PyObject *self) { return PyObject_CallOneArg(asyncio_state_of(self)->task_repr, self); }

static PyObject *get_log_destroy_pending(PyObject *self, void *unused) { return PyBool_FromLong(TASK(self)->log_destroy_pending); }

static int set_log_destroy_pending(PyObject *self, PyObject *value, void *unused)
{
    if (!value) {
        PyErr_SetString(PyExc_AttributeError, "cannot delete attribute");
        return -1;
    }
    int is_true = PyObject_IsTrue(value);
    if (is_true < 0) return -1;
    TASK(self)->log_destroy_pending = is_true;
    return 0;
}

static PyObject *get_must_cancel(PyObject *self, void *unused) { return PyBool_FromLong(TASK(self)->must_cancel); }
static PyObject *get_coro(PyObject *self, void *unused) { return or_none(TASK(self)->coroutine); }
static PyObject *get_waiting_for(PyObject *self, void *unused) { return or_none(TASK(self)->waiting_for); }

/* ---- life ----------------------------------------------------------------------------------------------------------------------------------- */

static int task_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(TASK(self)->waiting_for);
    Py_VISIT(TASK(self)->coroutine);
    Py_VISIT(TASK(self)->name);
    Py_VISIT(TASK(self)->context);
    return future_traverse(self, visit, arg);
}

static int task_clear(PyObject *self)
{
    future_clear(self);
    Py_CLEAR(TASK(self)->waiting_for);
    Py_CLEAR(TASK(self)->coroutine);
    Py_CLEAR(TASK(self)->name);
    Py_CLEAR(TASK(self)->context);
    return 0;
}

static void task_finalize(PyObject *self)
{
    Task *task = TASK(self);
    if (task->status == FUTURE_PENDING && task->log_destroy_pending && task->loop) {
        PyObject *raised = PyErr_GetRaisedException();
        if (loop_report(task->loop, "task", self, PyUnicode_FromString("Task was destroyed but it is pending!"), NULL, task->source_traceback) < 0)
            PyErr_Clear();
        PyErr_SetRaisedException(raised);
    }
    future_finalize(self);
}

static void task_dealloc(PyObject *self) { future_dealloc_with(self, task_dealloc, task_clear); }

static PyMethodDef task_methods[] = {
    METHOD(Task, set_result), METHOD(Task, set_exception), METHOD(Task, cancel), METHOD(Task, cancelling), METHOD(Task, uncancel),
    METHOD(Task, get_stack), METHOD(Task, print_stack), METHOD(Task, get_name), METHOD(Task, set_name), METHOD(Task, get_coro),
    METHOD(Task, get_context), CLASS_GETITEM_METHOD, {0},
};

static PyGetSetDef task_getset[] = {
    { "_log_destroy_pending", get_log_destroy_pending, set_log_destroy_pending }, { "_must_cancel", get_must_cancel },
    { "_coro", get_coro }, { "_fut_waiter", get_waiting_for }, {0},
};

static PyType_Slot task_slots[] = {
    SLOT(tp_dealloc, task_dealloc), SLOT(tp_doc, "A coroutine wrapped in a Future."), SLOT(tp_traverse, task_traverse),
    SLOT(tp_clear, task_clear), SLOT(tp_repr, task_repr), SLOT(tp_iter, future_new_iterator), SLOT(tp_methods, task_methods),
    SLOT(tp_getset, task_getset), SLOT(tp_init, task_tp_init), SLOT(tp_new, PyType_GenericNew), SLOT(tp_finalize, task_finalize),
    SLOT(am_await, future_new_iterator), {0},
};

PyType_Spec task_spec = {
    .name = "_asyncio.Task", .basicsize = sizeof(Task), .slots = task_slots,
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_MANAGED_DICT |
             Py_TPFLAGS_MANAGED_WEAKREF,
};
