/* Future and the iterator that `await` makes of it. */
#include "asyncio_private.h"

/* ---- the loop --------------------------------------------------------------------------------------------------------------- */

int loop_call_soon(AsyncioState *s, PyObject *loop, PyObject *callback, PyObject *argument, PyObject *context)
{
    PyObject *stack[4] = { loop, callback };
    size_t n = 2;
    if (argument) stack[n++] = argument;
    if (context) stack[n] = context;
    PyObject *handle = PyObject_VectorcallMethod(STR(call_soon), stack, n | PY_VECTORCALL_ARGUMENTS_OFFSET, context ? s->context_keyword : NULL);
    Py_XDECREF(handle);
    return handle ? 0 : -1;
}

/* loop.call_exception_handler({...}) from a finalizer: errors are reported, whatever was raised stays raised. */
int loop_report(PyObject *loop, const char *subject_name, PyObject *subject, PyObject *message, PyObject *exception, PyObject *source_traceback)
{
    PyObject *handler = NULL, *report = message ? PyDict_New() : NULL, *done = NULL;
    if (!report || PyDict_SetItemString(report, "message", message) < 0) goto done;
    if (exception && PyDict_SetItemString(report, "exception", exception) < 0) goto done;
    if (PyDict_SetItemString(report, subject_name, subject) < 0) goto done;
    if (source_traceback && PyDict_SetItemString(report, "source_traceback", source_traceback) < 0) goto done;
    if (!(handler = PyObject_GetAttrString(loop, "call_exception_handler"))) goto done;
    if (!(done = PyObject_CallOneArg(handler, report))) PyErr_WriteUnraisable(handler);
done:
    Py_XDECREF(report);
    Py_XDECREF(handler);
    Py_XDECREF(message);
    Py_XDECREF(done);
    return done ? 0 : -1;
}

/* ---- state ------------------------------------------------------------------------------------------------------------------- */

/* -1 with RuntimeError */
static int future_check_alive(Future *f)
{
    if (LIKELY(f->loop)) return 0;
    PyErr_SetString(PyExc_RuntimeError, "Future object is not initialized.");
    return -1;
}

int future_init(AsyncioState *s, Future *f, PyObject *loop)
{
    loop = loop && loop != Py_None ? Py_NewRef(loop) : asyncio_event_loop(s);
    if (!loop) return -1;
    SET_FIELD(f->loop, loop);
    Py_CLEAR(f->callback);
    Py_CLEAR(f->callback_context);
    Py_CLEAR(f->callbacks);
    Py_CLEAR(f->result);
    Py_CLEAR(f->exception);
    Py_CLEAR(f->exception_tb);
    Py_CLEAR(f->source_traceback);
    Py_CLEAR(f->cancel_message);
    Py_CLEAR(f->cancelled_error);
    f->status = FUTURE_PENDING;
    f->log_traceback = f->blocking = false;
    PyObject *debug = PyObject_CallMethodNoArgs(loop, STR(get_debug));
    int is_debug = debug ? PyObject_IsTrue(debug) : -1;
    Py_XDECREF(debug);
    if (is_debug <= 0 || Py_IsFinalizing()) return is_debug < 0 ? -1 : 0;
    SET_FIELD(f->source_traceback, PyObject_CallNoArgs(s->extract_stack));
    return f->source_traceback ? 0 : -1;
}

/* Hands every callback to the loop and forgets it. */
static int schedule_callbacks(AsyncioState *s, Future *f)
{
    PyObject *callback = f->callback, *context = f->callback_context, *others;
    int status = 0;
    if (callback) {
        f->callback = f->callback_context = NULL;
        status = loop_call_soon(s, f->loop, callback, (PyObject *)f, context);
        Py_DECREF(callback);
        Py_XDECREF(context);
        if (status < 0) {
            Py_CLEAR(f->callbacks);
            return -1;
        }
    }
    if (!(others = f->callbacks)) return 0;
    f->callbacks = NULL;
    for (Py_ssize_t i = 0; status == 0 && i < PyList_GET_SIZE(others); i++) {
        PyObject *pair = Py_NewRef(PyList_GET_ITEM(others, i));
        status = loop_call_soon(s, f->loop, PyTuple_GET_ITEM(pair, 0), (PyObject *)f, PyTuple_GET_ITEM(pair, 1));
        Py_DECREF(pair);
    }
    Py_DECREF(others);
    return status;
}

static COLD int invalid_state(AsyncioState *s, const char *text)
{
    PyErr_SetString(s->InvalidStateError, text);
    return -1;
}

int future_set_result(AsyncioState *s, Future *f, PyObject *result)
{
    if (future_check_alive(f) < 0) return -1;
    if (f->status != FUTURE_PENDING) return invalid_state(s, "invalid state");
    f->result = Py_NewRef(result);
    f->status = FUTURE_FINISHED;
    return schedule_callbacks(s, f);
}

/* StopIteration inside a generator would mean its end. Steals. */
static PyObject *wrap_stop_iteration(PyObject *stop)
{
    PyObject *error = PyObject_CallFunction(PyExc_RuntimeError, "s",
                                            "StopIteration interacts badly with generators and cannot be raised into a Future");
    if (error) {
        PyException_SetCause(error, Py_NewRef(stop));
        PyException_SetContext(error, Py_NewRef(stop));
    }
    Py_DECREF(stop);
    return error;
}

int future_set_exception(AsyncioState *s, Future *f, PyObject *exception)
{
    if (future_check_alive(f) < 0) return -1;
    if (f->status != FUTURE_PENDING) return invalid_state(s, "invalid state");
    PyObject *value = PyExceptionClass_Check(exception) ? PyObject_CallNoArgs(exception) : Py_NewRef(exception);
    if (!value) return -1;
    if (f->status != FUTURE_PENDING) {                      /* the class's constructor finished the future */
        Py_DECREF(value);
        return invalid_state(s, "invalid state");
    }
    if (!PyExceptionInstance_Check(value)) {
        Py_DECREF(value);
        PyErr_SetString(PyExc_TypeError, "invalid exception object");
        return -1;
    }
    if (PyErr_GivenExceptionMatches(value, PyExc_StopIteration) && !(value = wrap_stop_iteration(value))) return -1;
    f->exception = value;
    f->exception_tb = PyException_GetTraceback(value);
    f->status = FUTURE_FINISHED;
    if (schedule_callbacks(s, f) < 0) return -1;
    f->log_traceback = true;
    return 0;
}

PyObject *future_cancelled_error(AsyncioState *s, Future *f)
{
    PyObject *error = f->cancelled_error, *message = f->cancel_message;
    if (error) {
        f->cancelled_error = NULL;
        return error;
    }
    return message && message != Py_None ? PyObject_CallOneArg(s->CancelledError, message) : PyObject_CallNoArgs(s->CancelledError);
}

static int raise_cancelled(AsyncioState *s, Future *f)
{
    PyObject *error = future_cancelled_error(s, f);
    if (!error) return -1;
    PyErr_SetObject(s->CancelledError, error);
    Py_DECREF(error);
    return -1;
}

int future_cancel(AsyncioState *s, Future *f, PyObject *message)
{
    f->log_traceback = false;
    if (f->status != FUTURE_PENDING) return 0;
    f->status = FUTURE_CANCELLED;
    SET_FIELD(f->cancel_message, Py_XNewRef(message));
    return schedule_callbacks(s, f) < 0 ? -1 : 1;
}

int future_take_result(AsyncioState *s, Future *f, PyObject **result)
{
    if (!f->loop) return invalid_state(s, "Future object is not initialized.");
    if (f->status == FUTURE_CANCELLED) return raise_cancelled(s, f);
    if (f->status != FUTURE_FINISHED) return invalid_state(s, "Result is not set.");
    f->log_traceback = false;
    if (!f->exception) {
        *result = Py_NewRef(f->result);
        return 0;
    }
    PyObject *exception = f->exception, *tb = f->exception_tb;
    if (PyException_SetTraceback(exception, tb ? tb : Py_None) < 0) return -1;
    *result = Py_NewRef(exception);
    Py_CLEAR(f->exception_tb);
    return 1;
}

static PyObject *result_or_raise(AsyncioState *s, Future *f)
{
    PyObject *result;
    int status = future_take_result(s, f, &result);
    if (status <= 0) return status < 0 ? NULL : result;
    PyErr_SetObject((PyObject *)Py_TYPE(result), result);
    Py_DECREF(result);
    return NULL;
}

int future_add_callback(AsyncioState *s, Future *f, PyObject *callback, PyObject *context)
{
    if (!f->loop) {
        PyErr_SetString(PyExc_RuntimeError, "uninitialized Future object");
        return -1;
    }
    if (f->status != FUTURE_PENDING) return loop_call_soon(s, f->loop, callback, (PyObject *)f, context);
    if (!f->callback && !f->callbacks) {
        f->callback = Py_NewRef(callback);
        f->callback_context = Py_NewRef(context);
        return 0;
    }
    PyObject *pair = PyTuple_Pack(2, callback, context);
    if (!pair) return -1;
    int status = f->callbacks || (f->callbacks = PyList_New(0)) ? PyList_Append(f->callbacks, pair) : -1;
    Py_DECREF(pair);
    return status;
}

PyObject *future_loop_of(AsyncioState *s, PyObject *o)
{
    if (is_exact_future(s, o)) {
        PyObject *loop = FUTURE(o)->loop;
        return future_check_alive(FUTURE(o)) < 0 ? NULL : Py_NewRef(loop);
    }
    PyObject *get_loop, *loop;
    if (PyObject_GetOptionalAttr(o, STR(get_loop), &get_loop) < 0) return NULL;
    if (!get_loop) return PyObject_GetAttrString(o, "_loop");
    loop = PyObject_CallNoArgs(get_loop);
    Py_DECREF(get_loop);
    return loop;
}

/* ---- methods --------------------------------------------------------------------------------------------------------------------- */

SIGNATURE(future_signature, "Future", KEYWORDS, "(*, loop=None)");

static int future_tp_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    PyObject *arg[1];
    if (args_bind_tuple(&future_signature, args, kwargs, arg) < 0) return -1;
    return future_init(asyncio_state_of(self), FUTURE(self), arg[0]);
}

BUILTIN_NOARGS(Future, result, "($self, /)", "The result; raises the exception, CancelledError, or InvalidStateError when not done.")
{
    return result_or_raise(asyncio_state_of(self), FUTURE(self));
}

BUILTIN_NOARGS(Future, exception, "($self, /)", "The exception or None; raises CancelledError, or InvalidStateError when not done.")
{
    Future *f = FUTURE(self);
    if (!f->loop || f->status == FUTURE_PENDING) {
        invalid_state(asyncio_state_of(self), f->loop ? "Exception is not set." : "Future object is not initialized.");
        return NULL;
    }
    if (f->status == FUTURE_CANCELLED) {
        raise_cancelled(asyncio_state_of(self), f);
        return NULL;
    }
    if (!f->exception) Py_RETURN_NONE;
    f->log_traceback = false;
    return Py_NewRef(f->exception);
}

BUILTIN_O(Future, set_result, "($self, result, /)", "Finish with a result.")
{
    if (future_set_result(asyncio_state_of(self), FUTURE(self), arg) < 0) return NULL;
    Py_RETURN_NONE;
}

BUILTIN_O(Future, set_exception, "($self, exception, /)", "Finish with an exception.")
{
    if (future_set_exception(asyncio_state_of(self), FUTURE(self), arg) < 0) return NULL;
    Py_RETURN_NONE;
}

BUILTIN(Future, add_done_callback, KEYWORDS, "($self, fn, /, *, context=<unrepresentable>)",
        "Have the loop call fn with the future when it is done, which may be at once.")
{
    PyObject *context = arg[1] ? Py_NewRef(arg[1]) : PyContext_CopyCurrent();
    if (!context) return NULL;
    int status = future_add_callback(asyncio_state_of(self), FUTURE(self), arg[0], context);
    Py_DECREF(context);
    if (status < 0) return NULL;
    Py_RETURN_NONE;
}

/* The comparisons may change the list. */
static Py_ssize_t remove_from_list(Future *f, PyObject *fn)
{
    Py_ssize_t before = PyList_GET_SIZE(f->callbacks), removed = 0;
    PyObject *kept = PyList_New(0);
    if (!kept) return -1;
    for (Py_ssize_t i = 0; f->callbacks && i < PyList_GET_SIZE(f->callbacks); i++) {
        PyObject *pair = Py_NewRef(PyList_GET_ITEM(f->callbacks, i));
        int equal = PyObject_RichCompareBool(PyTuple_GET_ITEM(pair, 0), fn, Py_EQ);
        int status = equal == 0 ? PyList_Append(kept, pair) : 0;
        Py_DECREF(pair);
        if (equal < 0 || status < 0) {
            Py_DECREF(kept);
            return -1;
        }
        removed += equal;
    }
    if (!f->callbacks || PyList_GET_SIZE(kept) == 0) {
        if (!f->callbacks) removed = before;
        Py_DECREF(kept);
        Py_CLEAR(f->callbacks);
        return removed;
    }
    SET_FIELD(f->callbacks, kept);
    return removed;
}

BUILTIN_O(Future, remove_done_callback, "($self, fn, /)", "Remove all callbacks equal to fn; the number of them.")
{
    Future *f = FUTURE(self);
    Py_ssize_t removed = 0;
    if (future_check_alive(f) < 0) return NULL;
    if (f->callback) {
        PyObject *callback = Py_NewRef(f->callback);
        int equal = PyObject_RichCompareBool(callback, arg, Py_EQ);
        Py_DECREF(callback);
        if (equal < 0) return NULL;
        if (equal) {
            Py_CLEAR(f->callback);
            Py_CLEAR(f->callback_context);
            removed = 1;
        }
    }
    if (f->callbacks) {
        Py_ssize_t n = remove_from_list(f, arg);
        if (n < 0) return NULL;
        removed += n;
    }
    return PyLong_FromSsize_t(removed);
}

BUILTIN(Future, cancel, KEYWORDS, "($self, /, msg=None)", "Cancel the future and schedule its callbacks; False when it was done already.")
{
    if (future_check_alive(FUTURE(self)) < 0) return NULL;
    int status = future_cancel(asyncio_state_of(self), FUTURE(self), arg[0]);
    return status < 0 ? NULL : PyBool_FromLong(status);
}

BUILTIN_NOARGS(Future, cancelled, "($self, /)", "Whether the future was cancelled.")
{
    return PyBool_FromLong(FUTURE(self)->loop && FUTURE(self)->status == FUTURE_CANCELLED);
}

BUILTIN_NOARGS(Future, done, "($self, /)", "Whether there is a result or an exception, or the future was cancelled.")
{
    return PyBool_FromLong(FUTURE(self)->loop && FUTURE(self)->status != FUTURE_PENDING);
}

BUILTIN_NOARGS(Future, get_loop, "($self, /)", "The event loop the future belongs to.")
{
    return future_check_alive(FUTURE(self)) < 0 ? NULL : Py_NewRef(FUTURE(self)->loop);
}

BUILTIN_NOARGS(Future, _make_cancelled_error, "($self, /)", "The CancelledError to raise; call it once for a cancellation.")
{
    return future_cancelled_error(asyncio_state_of(self), FUTURE(self));
}

static PyObject *future_repr(PyObject *self)
{
    return future_check_alive(FUTURE(self)) < 0 ? NULL : PyObject_CallOneArg(asyncio_state_of(self)->future_repr, self);
}

/* ---- attributes ---------------------------------------------------------------------------------------------------------------------- */

static COLD int no_deletion(void)
{
    PyErr_SetString(PyExc_AttributeError, "cannot delete attribute");
    return -1;
}

static PyObject *get_state(PyObject *self, void *unused)
{
    FutureStatus status = FUTURE(self)->status;
    if (future_check_alive(FUTURE(self)) < 0) return NULL;
    return status == FUTURE_PENDING ? STR(PENDING) : status == FUTURE_CANCELLED ? STR(CANCELLED) : STR(FINISHED);
}

static PyObject *get_blocking(PyObject *self, void *unused)
{
    return PyBool_FromLong(FUTURE(self)->loop && FUTURE(self)->blocking);
}

static int set_blocking(PyObject *self, PyObject *value, void *unused)
{
    if (future_check_alive(FUTURE(self)) < 0) return -1;
    if (!value) return no_deletion();
    int is_true = PyObject_IsTrue(value);
    if (is_true < 0) return -1;
    FUTURE(self)->blocking = is_true;
    return 0;
}

static PyObject *get_log_traceback(PyObject *self, void *unused)
{
    return future_check_alive(FUTURE(self)) < 0 ? NULL : PyBool_FromLong(FUTURE(self)->log_traceback);
}

static int set_log_traceback(PyObject *self, PyObject *value, void *unused)
{
    if (!value) return no_deletion();
    int is_true = PyObject_IsTrue(value);
    if (is_true < 0) return -1;
    if (is_true) {
        PyErr_SetString(PyExc_ValueError, "_log_traceback can only be set to False");
        return -1;
    }
    FUTURE(self)->log_traceback = false;
    return 0;
}

static PyObject *get_callbacks(PyObject *self, void *unused)
{
    Future *f = FUTURE(self);
    if (future_check_alive(f) < 0) return NULL;
    if (!f->callback && !f->callbacks) Py_RETURN_NONE;
    PyObject *list = PyList_New(0);
    if (!list) return NULL;
    if (f->callback) {
        PyObject *pair = PyTuple_Pack(2, f->callback, f->callback_context ? f->callback_context : Py_None);
        int status = pair ? PyList_Append(list, pair) : -1;
        Py_XDECREF(pair);
        if (status < 0) goto error;
    }
    if (f->callbacks && PyList_SetSlice(list, PyList_GET_SIZE(list), PyList_GET_SIZE(list), f->callbacks) < 0) goto error;
    return list;
error:
    Py_DECREF(list);
    return NULL;
}

static PyObject *get_exception(PyObject *self, void *unused)
{
    if (future_check_alive(FUTURE(self)) < 0) return NULL;
    return Py_NewRef(FUTURE(self)->exception ? FUTURE(self)->exception : Py_None);
}

static PyObject *get_result(PyObject *self, void *unused)
{
    if (future_check_alive(FUTURE(self)) < 0) return NULL;
    return Py_NewRef(FUTURE(self)->result ? FUTURE(self)->result : Py_None);
}

static PyObject *get_source_traceback(PyObject *self, void *unused)
{
    return Py_NewRef(FUTURE(self)->loop && FUTURE(self)->source_traceback ? FUTURE(self)->source_traceback : Py_None);
}

static PyObject *get_loop_attribute(PyObject *self, void *unused) { return Py_NewRef(FUTURE(self)->loop ? FUTURE(self)->loop : Py_None); }

static PyObject *get_cancel_message(PyObject *self, void *unused)
{
    return Py_NewRef(FUTURE(self)->cancel_message ? FUTURE(self)->cancel_message : Py_None);
}

static int set_cancel_message(PyObject *self, PyObject *value, void *unused)
{
    if (!value) return no_deletion();
    SET_FIELD(FUTURE(self)->cancel_message, Py_NewRef(value));
    return 0;
}

/* ---- life ------------------------------------------------------------------------------------------------------------------------------- */

int future_traverse(PyObject *self, visitproc visit, void *arg)
{
    Future *f = FUTURE(self);
    VISIT_TYPE(self);
    Py_VISIT(f->loop);
    Py_VISIT(f->callback);
    Py_VISIT(f->callback_context);
    Py_VISIT(f->callbacks);
    Py_VISIT(f->result);
    Py_VISIT(f->exception);
    Py_VISIT(f->exception_tb);
    Py_VISIT(f->source_traceback);
    Py_VISIT(f->cancel_message);
    Py_VISIT(f->cancelled_error);
    return PyObject_VisitManagedDict(self, visit, arg);
}

int future_clear(PyObject *self)
{
    Future *f = FUTURE(self);
    Py_CLEAR(f->loop);
    Py_CLEAR(f->callback);
    Py_CLEAR(f->callback_context);
    Py_CLEAR(f->callbacks);
    Py_CLEAR(f->result);
    Py_CLEAR(f->exception);
    Py_CLEAR(f->exception_tb);
    Py_CLEAR(f->source_traceback);
    Py_CLEAR(f->cancel_message);
    Py_CLEAR(f->cancelled_error);
    PyObject_ClearManagedDict(self);
    return 0;
}

void future_finalize(PyObject *self)
{
    Future *f = FUTURE(self);
    if (!f->log_traceback) return;
    f->log_traceback = false;
    PyObject *raised = PyErr_GetRaisedException();
    PyObject *name = PyType_GetName(Py_TYPE(self)), *message = name ? PyUnicode_FromFormat("%U exception was never retrieved", name) : NULL;
    Py_XDECREF(name);
    if (loop_report(f->loop, "future", self, message, f->exception, f->source_traceback) < 0) PyErr_Clear();
    PyErr_SetRaisedException(raised);
}

/* Of a subclass made by a class statement the finalizer has been called already. */
void future_dealloc_with(PyObject *self, destructor own, inquiry clear)
{
    if (Py_TYPE(self)->tp_dealloc == own && PyObject_CallFinalizerFromDealloc(self) < 0) return;
    PyObject_GC_UnTrack(self);
    PyObject_ClearWeakRefs(self);
    clear(self);
    free_instance(self);
}

static void future_dealloc(PyObject *self) { future_dealloc_with(self, future_dealloc, future_clear); }

/* ---- the iterator ----------------------------------------------------------------------------------------------------------------------- */

PyObject *future_new_iterator(PyObject *self)
{
    if (future_check_alive(FUTURE(self)) < 0) return NULL;
    FutureIter *it = PyObject_GC_New(FutureIter, asyncio_state_of(self)->iterator);
    if (!it) return NULL;
    it->future = FUTURE(Py_NewRef(self));
    PyObject_GC_Track(it);
    return (PyObject *)it;
}

/* First yields the future itself, marked as awaited; once resumed it must be done. */
static PySendResult iter_send(PyObject *self, PyObject *Py_UNUSED(value), PyObject **result)
{
    FutureIter *it = (FutureIter *)self;
    Future *f = it->future;
    *result = NULL;
    if (!f) return PYGEN_ERROR;
    if (f->status == FUTURE_PENDING) {
        if (!f->blocking) {
            f->blocking = true;
            *result = Py_NewRef(f);
            return PYGEN_NEXT;
        }
        PyErr_SetString(PyExc_RuntimeError, "await wasn't used with future");
        return PYGEN_ERROR;
    }
    it->future = NULL;
    *result = result_or_raise(asyncio_state_of((PyObject *)f), f);
    Py_DECREF(f);
    return *result ? PYGEN_RETURN : PYGEN_ERROR;
}

static PyObject *iter_next(PyObject *self)
{
    PyObject *result;
    switch (iter_send(self, Py_None, &result)) {
    case PYGEN_NEXT: return result;
    case PYGEN_RETURN:
        if (result != Py_None) {
            PyObject *stop = PyObject_CallOneArg(PyExc_StopIteration, result);
            if (stop) PyErr_SetObject(PyExc_StopIteration, stop);
            Py_XDECREF(stop);
        }
        Py_DECREF(result);
        return NULL;
    default: return NULL;
    }
}

BUILTIN_O(FutureIter, send, "($self, object, /)", "")
{
    PyObject *result = iter_next(self);
    if (!result && !PyErr_Occurred()) PyErr_SetNone(PyExc_StopIteration);
    return result;
}

static PyObject *FutureIter_throw(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    if (check_count("throw", nargs, 1, 3) < 0) return NULL;
    if (nargs > 1 && PyErr_WarnEx(PyExc_DeprecationWarning, "the (type, exc, tb) signature of throw() is deprecated, "
                                  "use the single-arg signature instead.", 1) < 0) return NULL;
    PyObject *type = args[0], *value = nargs > 1 && args[1] != Py_None ? args[1] : NULL;
    PyObject *tb = nargs > 2 && args[2] != Py_None ? args[2] : NULL, *exception;
    if (tb && !PyTraceBack_Check(tb)) return PyErr_Format(PyExc_TypeError, "throw() third argument must be a traceback");
    if (PyExceptionClass_Check(type)) {
        Py_INCREF(type);
        Py_XINCREF(value);
        Py_XINCREF(tb);
        PyErr_NormalizeException(&type, &value, &tb);
        Py_XDECREF(type);
        exception = value;
        if (tb) PyException_SetTraceback(exception, tb);
        Py_XDECREF(tb);
    } else if (PyExceptionInstance_Check(type)) {
        if (value) return PyErr_Format(PyExc_TypeError, "instance exception may not have a separate value");
        exception = Py_NewRef(type);
        if (tb && PyException_SetTraceback(exception, tb) < 0) {
            Py_DECREF(exception);
            return NULL;
        }
    } else {
        return PyErr_Format(PyExc_TypeError, "exceptions must be classes deriving BaseException or instances of such a class");
    }
    Py_CLEAR(((FutureIter *)self)->future);
    PyErr_SetRaisedException(exception);
    return NULL;
}

BUILTIN_NOARGS(FutureIter, close, "($self, /)", "")
{
    Py_CLEAR(((FutureIter *)self)->future);
    Py_RETURN_NONE;
}

static int iter_traverse(PyObject *self, visitproc visit, void *arg)
{
    VISIT_TYPE(self);
    Py_VISIT(((FutureIter *)self)->future);
    return 0;
}

static int iter_clear(PyObject *self)
{
    Py_CLEAR(((FutureIter *)self)->future);
    return 0;
}

static void iter_dealloc(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    iter_clear(self);
    free_instance(self);
}

static PyMethodDef iter_methods[] = {
    METHOD(FutureIter, send), { "throw", (PyCFunction)(void (*)(void))FutureIter_throw, METH_FASTCALL, PyDoc_STR("") },
    METHOD(FutureIter, close), {0},
};

static PyType_Slot iter_slots[] = {
    SLOT(tp_dealloc, iter_dealloc), SLOT(tp_getattro, PyObject_GenericGetAttr), SLOT(tp_traverse, iter_traverse), SLOT(tp_clear, iter_clear),
    SLOT(tp_iter, PyObject_SelfIter), SLOT(tp_iternext, iter_next), SLOT(tp_methods, iter_methods), SLOT(am_send, iter_send), {0},
};

PyType_Spec future_iter_spec = {
    .name = "_asyncio.FutureIter", .basicsize = sizeof(FutureIter), .slots = iter_slots,
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE,
};

/* ---- the type ---------------------------------------------------------------------------------------------------------------------------- */

static PyMethodDef future_methods[] = {
    METHOD(Future, result), METHOD_BARE(Future, exception), METHOD(Future, set_result), METHOD(Future, set_exception),
    METHOD(Future, add_done_callback), METHOD(Future, remove_done_callback), METHOD(Future, cancel), METHOD(Future, cancelled),
    METHOD(Future, done), METHOD_BARE(Future, get_loop), METHOD(Future, _make_cancelled_error), CLASS_GETITEM_METHOD, {0},
};

static PyGetSetDef future_getset[] = {
    { "_state", get_state }, { "_asyncio_future_blocking", get_blocking, set_blocking }, { "_loop", get_loop_attribute },
    { "_callbacks", get_callbacks }, { "_result", get_result }, { "_exception", get_exception },
    { "_log_traceback", get_log_traceback, set_log_traceback }, { "_source_traceback", get_source_traceback },
    { "_cancel_message", get_cancel_message, set_cancel_message }, {0},
};

static PyType_Slot future_slots[] = {
    SLOT(tp_dealloc, future_dealloc),
    SLOT(tp_doc, "A result that is not there yet, much like concurrent.futures.Future.\n\n"
                 "result() and exception() take no timeout and raise when the future is not done;\n"
                 "callbacks are always called through the event loop."),
    SLOT(tp_traverse, future_traverse), SLOT(tp_clear, future_clear), SLOT(tp_repr, future_repr), SLOT(tp_iter, future_new_iterator),
    SLOT(tp_methods, future_methods), SLOT(tp_getset, future_getset), SLOT(tp_init, future_tp_init), SLOT(tp_new, PyType_GenericNew),
    SLOT(tp_finalize, future_finalize), SLOT(am_await, future_new_iterator), {0},
};

PyType_Spec future_spec = {
    .name = "_asyncio.Future", .basicsize = sizeof(Future), .slots = future_slots,
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_MANAGED_DICT |
             Py_TPFLAGS_MANAGED_WEAKREF,
};
