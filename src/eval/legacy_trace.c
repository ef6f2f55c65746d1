/* sys.settrace() and sys.setprofile() as two tools of monitoring: callbacks that turn its events into the old ones. */
#include "eval/monitoring.h"

typedef struct Handler {
    PyObject_HEAD
    vectorcallfunc vectorcall;
    int event;                           /* PyTrace_* */
} Handler;

static void handler_dealloc(Handler *h) { PyObject_Free(h); }

PyTypeObject legacy_handler_type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "sys.legacy_event_handler",
    .tp_basicsize = sizeof(Handler),
    .tp_dealloc = (destructor)handler_dealloc,
    .tp_vectorcall_offset = offsetof(Handler, vectorcall),
    .tp_call = PyVectorcall_Call,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_DISALLOW_INSTANTIATION,
};

static int handler_register(PyInterpreterState *interp, int tool, vectorcallfunc call, int event, int first, int second)
{
    Handler *h = PyObject_New(Handler, &legacy_handler_type);
    if (!h) return -1;
    h->vectorcall = call;
    h->event = event;
    Py_XDECREF(monitoring_register(interp, tool, first, (PyObject *)h));
    if (second >= 0) Py_XDECREF(monitoring_register(interp, tool, second, (PyObject *)h));
    Py_DECREF(h);
    return 0;
}

/* ---- profiling ------------------------------------------------------------------------------------------------------------------------- */

static PyObject *call_profile(Handler *h, PyObject *arg)
{
    PyThreadState *ts = PyThreadState_GET();
    if (!ts->c_profilefunc) Py_RETURN_NONE;
    PyFrameObject *frame = PyEval_GetFrame();
    if (!frame) {
        PyErr_SetString(PyExc_SystemError, "Missing frame when calling profile function.");
        return NULL;
    }
    Py_INCREF(frame);
    int err = ts->c_profilefunc(ts->c_profileobj, frame, h->event, arg);
    Py_DECREF(frame);
    if (err) return NULL;
    Py_RETURN_NONE;
}

static PyObject *profile_start(PyObject *self, PyObject *const *args, size_t n, PyObject *k) { return call_profile((Handler *)self, Py_None); }
static PyObject *profile_return(PyObject *self, PyObject *const *args, size_t n, PyObject *k) { return call_profile((Handler *)self, args[2]); }

/* Calls of C functions only; a method descriptor is shown as the bound method. */
static PyObject *profile_call(PyObject *self, PyObject *const *args, size_t n, PyObject *k)
{
    PyObject *callable = args[2];
    if (PyCFunction_Check(callable)) return call_profile((Handler *)self, callable);
    if (Py_IS_TYPE(callable, &PyMethodDescr_Type)) {
        PyObject *object = args[3];
        if (object == monitoring_missing(PyThreadState_GET())) Py_RETURN_NONE;
        PyObject *bound = PyMethodDescr_Type.tp_descr_get(callable, object, (PyObject *)Py_TYPE(object));
        if (!bound) return NULL;
        PyObject *r = call_profile((Handler *)self, bound);
        Py_DECREF(bound);
        return r;
    }
    if (Py_IS_TYPE(callable, &PyMethod_Type) && PyCFunction_Check(PyMethod_GET_FUNCTION(callable)))
        return call_profile((Handler *)self, PyMethod_GET_FUNCTION(callable));
    Py_RETURN_NONE;
}

/* ---- tracing ---------------------------------------------------------------------------------------------------------------------------- */

static PyObject *call_trace(Handler *h, PyObject *arg)
{
    PyThreadState *ts = PyThreadState_GET();
    if (!ts->c_tracefunc) Py_RETURN_NONE;
    PyFrameObject *frame = PyEval_GetFrame();
    if (!frame) {
        PyErr_SetString(PyExc_SystemError, "Missing frame when calling trace function.");
        return NULL;
    }
    Py_INCREF(frame);
    int err = ts->c_tracefunc(ts->c_traceobj, frame, h->event, arg);
    Py_DECREF(frame);
    if (err) return NULL;
    Py_RETURN_NONE;
}

static PyObject *trace_start(PyObject *self, PyObject *const *args, size_t n, PyObject *k) { return call_trace((Handler *)self, Py_None); }
static PyObject *trace_return(PyObject *self, PyObject *const *args, size_t n, PyObject *k) { return call_trace((Handler *)self, args[2]); }

static PyObject *trace_exception(PyObject *self, PyObject *const *args, size_t n, PyObject *k)
{
    PyObject *exc = args[2], *tb = PyException_GetTraceback(exc);
    PyObject *triple = PyTuple_Pack(3, Py_TYPE(exc), exc, tb ? tb : Py_None), *r = triple ? call_trace((Handler *)self, triple) : NULL;
    Py_XDECREF(tb);
    Py_XDECREF(triple);
    return r;
}

static PyObject *trace_one_line(PyThreadState *ts, Handler *h, PyFrameObject *frame, int line)
{
    if (!frame->f_trace_lines || line < 0) Py_RETURN_NONE;
    Py_INCREF(frame);
    frame->f_lineno = line;
    int err = ts->c_tracefunc(ts->c_traceobj, frame, PyTrace_LINE, Py_None);
    frame->f_lineno = 0;
    Py_DECREF(frame);
    if (err) return NULL;
    Py_RETURN_NONE;
}

/* A jump back within a line: the line runs again. Other jumps end where a line event is. */
static PyObject *trace_jump(PyObject *self, PyObject *const *args, size_t n, PyObject *k)
{
    PyThreadState *ts = PyThreadState_GET();
    if (!ts->c_tracefunc) Py_RETURN_NONE;
    int from = PyLong_AsInt(args[1]), to = PyLong_AsInt(args[2]);
    PyObject *disable = ts->interp->eval.monitoring_disable;
    if (to > from) return Py_NewRef(disable);
    PyCodeObject *co = (PyCodeObject *)args[0];
    PyFrameObject *frame = PyEval_GetFrame();
    if (!frame) Py_RETURN_NONE;
    int line = PyCode_Addr2Line(co, from);
    if (PyCode_Addr2Line(co, to) != line) return Py_NewRef(disable);
    return trace_one_line(ts, (Handler *)self, frame, line);
}

static PyObject *trace_line_event(PyObject *self, PyObject *const *args, size_t n, PyObject *k)
{
    PyThreadState *ts = PyThreadState_GET();
    PyFrameObject *frame = ts->c_tracefunc ? PyEval_GetFrame() : NULL;
    if (!frame) Py_RETURN_NONE;
    return trace_one_line(ts, (Handler *)self, frame, PyLong_AsInt(args[1]));
}

static PyObject *trace_instruction(PyObject *self, PyObject *const *args, size_t n, PyObject *k)
{
    PyThreadState *ts = PyThreadState_GET();
    PyFrameObject *frame = ts->c_tracefunc ? PyEval_GetFrame() : NULL;
    if (!frame || !frame->f_trace_opcodes) Py_RETURN_NONE;
    return call_trace((Handler *)self, Py_None);
}

/* ---- switching on and off ------------------------------------------------------------------------------------------------------------------ */

static int profile_setup(PyInterpreterState *interp)
{
    EvalState *s = &interp->eval;
    if (s->sys_profile_initialized) return 0;
    s->sys_profile_initialized = true;
    int t = TOOL_SYS_PROFILE;
    return handler_register(interp, t, profile_start, PyTrace_CALL, EVENT_PY_START, EVENT_PY_RESUME) < 0 ||
           handler_register(interp, t, profile_start, PyTrace_CALL, EVENT_PY_THROW, -1) < 0 ||
           handler_register(interp, t, profile_return, PyTrace_RETURN, EVENT_PY_RETURN, EVENT_PY_YIELD) < 0 ||
           handler_register(interp, t, profile_start, PyTrace_RETURN, EVENT_PY_UNWIND, -1) < 0 ||
           handler_register(interp, t, profile_call, PyTrace_C_CALL, EVENT_CALL, -1) < 0 ||
           handler_register(interp, t, profile_call, PyTrace_C_RETURN, EVENT_C_RETURN, -1) < 0 ||
           handler_register(interp, t, profile_call, PyTrace_C_EXCEPTION, EVENT_C_RAISE, -1) < 0 ? -1 : 0;
}

static int trace_setup(PyInterpreterState *interp)
{
    EvalState *s = &interp->eval;
    if (s->sys_trace_initialized) return 0;
    s->sys_trace_initialized = true;
    int t = TOOL_SYS_TRACE;
    return handler_register(interp, t, trace_start, PyTrace_CALL, EVENT_PY_START, EVENT_PY_RESUME) < 0 ||
           handler_register(interp, t, trace_start, PyTrace_CALL, EVENT_PY_THROW, -1) < 0 ||
           handler_register(interp, t, trace_return, PyTrace_RETURN, EVENT_PY_RETURN, EVENT_PY_YIELD) < 0 ||
           handler_register(interp, t, trace_exception, PyTrace_EXCEPTION, EVENT_RAISE, EVENT_STOP_ITERATION) < 0 ||
           handler_register(interp, t, trace_line_event, PyTrace_LINE, EVENT_LINE, -1) < 0 ||
           handler_register(interp, t, trace_start, PyTrace_RETURN, EVENT_PY_UNWIND, -1) < 0 ||
           handler_register(interp, t, trace_jump, PyTrace_LINE, EVENT_JUMP, EVENT_BRANCH) < 0 ||
           handler_register(interp, t, trace_instruction, PyTrace_OPCODE, EVENT_INSTRUCTION, -1) < 0 ? -1 : 0;
}

enum {
    PROFILE_EVENTS = 1 << EVENT_PY_START | 1 << EVENT_PY_RESUME | 1 << EVENT_PY_RETURN | 1 << EVENT_PY_YIELD | 1 << EVENT_CALL |
                     1 << EVENT_PY_UNWIND | 1 << EVENT_PY_THROW,
    TRACE_EVENTS = 1 << EVENT_PY_START | 1 << EVENT_PY_RESUME | 1 << EVENT_PY_RETURN | 1 << EVENT_PY_YIELD | 1 << EVENT_RAISE |
                   1 << EVENT_LINE | 1 << EVENT_JUMP | 1 << EVENT_BRANCH | 1 << EVENT_PY_UNWIND | 1 << EVENT_PY_THROW |
                   1 << EVENT_STOP_ITERATION,
};

/* The old object dies last: it may set another one, and the thread may be gone then. */
static int set_profile(PyThreadState *ts, Py_tracefunc function, PyObject *object)
{
    PyInterpreterState *interp = ts->interp;
    if (profile_setup(interp) < 0) return -1;
    interp->eval.sys_profiling_threads += (function != NULL) - (ts->c_profilefunc != NULL);
    PyObject *old = ts->c_profileobj;
    ts->c_profilefunc = function;
    ts->c_profileobj = Py_XNewRef(object);
    int status = monitoring_set_events(interp, TOOL_SYS_PROFILE, interp->eval.sys_profiling_threads ? PROFILE_EVENTS : 0);
    Py_XDECREF(old);
    return status;
}

/* An event for each instruction of the frame's code, or no more. */
static int opcode_trace_set(PyFrameObject *frame, bool enable)
{
    PyCodeObject *co = frame_code(frame->f_frame);
    _PyCoMonitoringData *m = co->_co_monitoring;
    uint32_t events = m ? monitoring_events_of(m->local_monitors.tools, _PY_MONITORING_LOCAL_EVENTS, TOOL_SYS_TRACE) : 0;
    if (enable) events |= 1 << EVENT_INSTRUCTION;
    else events &= ~(uint32_t)(1 << EVENT_INSTRUCTION);
    return m || events ? monitoring_set_local_events(co, TOOL_SYS_TRACE, events) : 0;
}

static int set_trace(PyThreadState *ts, Py_tracefunc function, PyObject *object)
{
    PyInterpreterState *interp = ts->interp;
    if (trace_setup(interp) < 0) return -1;
    interp->eval.sys_tracing_threads += (function != NULL) - (ts->c_tracefunc != NULL);
    PyObject *old = ts->c_traceobj;
    ts->c_tracefunc = function;
    ts->c_traceobj = Py_XNewRef(object);
    Frame *f = interp->eval.sys_tracing_threads ? frame_current(ts) : NULL;
    int status = f && f->frame_obj && f->frame_obj->f_trace_opcodes ? opcode_trace_set(f->frame_obj, true) : 0;
    if (status == 0) status = monitoring_set_events(interp, TOOL_SYS_TRACE, interp->eval.sys_tracing_threads ? TRACE_EVENTS : 0);
    Py_XDECREF(old);
    return status;
}

void trace_forget_thread(PyThreadState *ts)
{
    EvalState *s = &ts->interp->eval;
    s->sys_profiling_threads -= ts->c_profilefunc != NULL;
    s->sys_tracing_threads -= ts->c_tracefunc != NULL;
    ts->c_profilefunc = ts->c_tracefunc = NULL;
    Py_CLEAR(ts->c_profileobj);
    Py_CLEAR(ts->c_traceobj);
}

int trace_opcodes_changed(PyFrameObject *frame)
{
    if (!frame->f_trace_opcodes) return opcode_trace_set(frame, false);
    return frame->f_trace ? opcode_trace_set(frame, true) : 0;
}

static int set_audited(PyThreadState *ts, bool trace, Py_tracefunc function, PyObject *object)
{
    if (PySys_Audit(trace ? "sys.settrace" : "sys.setprofile", NULL) < 0) return -1;
    return trace ? set_trace(ts, function, object) : set_profile(ts, function, object);
}

void PyEval_SetProfile(Py_tracefunc function, PyObject *object)
{
    if (set_audited(PyThreadState_GET(), false, function, object) < 0) PyErr_FormatUnraisable("Exception ignored in PyEval_SetProfile");
}

void PyEval_SetTrace(Py_tracefunc function, PyObject *object)
{
    if (set_audited(PyThreadState_GET(), true, function, object) < 0) PyErr_FormatUnraisable("Exception ignored in PyEval_SetTrace");
}

/* The thread with the least number from `id` on; NULL when there are no more. */
static PyThreadState *thread_from(PyInterpreterState *interp, uint64_t id)
{
    PyThreadState *found = NULL;
    for (PyThreadState *ts = interp->runtime.threads; ts; ts = ts->next)
        if (ts->id >= id && (!found || ts->id < found->id)) found = ts;
    return found;
}

/* Audit hooks and the old functions' destructors may run anything: threads may end meanwhile. */
static void set_all_threads(bool trace, Py_tracefunc function, PyObject *object, const char *name)
{
    PyInterpreterState *interp = interp_get();
    PyThreadState *ts;
    uint64_t end = interp->runtime.next_thread_id;
    for (uint64_t id = 0; (ts = thread_from(interp, id)) && ts->id < end; id++) {
        id = ts->id;
        int status = PySys_Audit(trace ? "sys.settrace" : "sys.setprofile", NULL);
        if (status == 0 && ((ts = thread_from(interp, id)) == NULL || ts->id != id)) continue;
        if (status == 0) status = trace ? set_trace(ts, function, object) : set_profile(ts, function, object);
        if (status < 0) PyErr_FormatUnraisable("Exception ignored in %s", name);
    }
}

void PyEval_SetProfileAllThreads(Py_tracefunc function, PyObject *object)
{
    set_all_threads(false, function, object, "PyEval_SetProfileAllThreads");
}

void PyEval_SetTraceAllThreads(Py_tracefunc function, PyObject *object)
{
    set_all_threads(true, function, object, "PyEval_SetTraceAllThreads");
}
