/* Telling tools of events: what the instrumented instructions and the ends of the loop call.
 *
 * A tool runs with ts->tracing raised, so that nothing it does is an event itself. While it runs, Thread.event_frame is the frame
 * that the event is about: that one stands at a known place with a known stack, and is the only one whose line may be set. */
#include "eval/eval_private.h"
#include "eval/monitoring.h"

typedef struct Telling { int event; Frame *frame; } Telling;

static Telling telling_begin(PyThreadState *ts, int event, Frame *f)
{
    Telling before = {ts->what_event, ((Thread *)ts)->event_frame};
    ts->what_event = event;
    ((Thread *)ts)->event_frame = f;
    ts->tracing++;
    return before;
}

static void telling_end(PyThreadState *ts, Telling before)
{
    ts->tracing--;
    ts->what_event = before.event;
    ((Thread *)ts)->event_frame = before.frame;
}

int monitoring_call_tool(PyThreadState *ts, Frame *f, PyObject *const *args, size_t nargsf, int tool, int event)
{
    PyObject *callable = ts->interp->eval.monitoring_callables[tool][event];
    if (!callable) return 0;
    Telling before = telling_begin(ts, event, f);
    Py_INCREF(callable);
    PyObject *r = PyObject_Vectorcall(callable, args, nargsf, NULL);
    Py_DECREF(callable);
    telling_end(ts, before);
    if (!r) return -1;
    int disable = r == ts->interp->eval.monitoring_disable;
    Py_DECREF(r);
    return disable;
}

int monitoring_cannot_disable(PyThreadState *ts, int tool, int event)
{
    PyErr_Format(PyExc_ValueError, "Cannot disable %s events. Callback removed.", monitoring_event_names[event]);
    PyObject *exc = PyErr_GetRaisedException();
    Py_CLEAR(ts->interp->eval.monitoring_callables[tool][event]);
    PyErr_SetRaisedException(exc);
    return -1;
}

static uint8_t tools_at(PyThreadState *ts, PyCodeObject *co, int i, int event)
{
    if (event >= _PY_MONITORING_UNGROUPED_EVENTS) event = EVENT_CALL;
    if (event >= _PY_MONITORING_LOCAL_EVENTS) return ts->interp->eval.monitors.tools[event];
    _PyCoMonitoringData *m = co->_co_monitoring;
    return m && m->tools ? m->tools[i] : 0;
}

bool instrument_listens(Frame *f, const CodeUnit *instr)
{
    _PyCoMonitoringData *m = frame_code(f)->_co_monitoring;
    return m && m->tools && m->tools[instr - CODE_UNITS(f->f_executable)];
}

/* args[1] and args[2] are filled in: code and offset. */
static int call_tools(PyThreadState *ts, int event, Frame *f, CodeUnit *instr, Py_ssize_t nargs, PyObject **args)
{
    if (ts->tracing) return 0;
    PyCodeObject *co = frame_code(f);
    if (co->co_flags & CO_NO_MONITORING_EVENTS) return 0;
    int at = (int)(instr - CODE_UNITS(co));
    unsigned tools = tools_at(ts, co, at, event);
    if (!tools) return 0;
    PyObject *offset = PyLong_FromLong(at * (long)sizeof(CodeUnit));
    if (!offset) return -1;
    args[1] = (PyObject *)co;
    args[2] = offset;
    int status = 0;
    while (tools && status == 0) {
        int tool = 31 - __builtin_clz(tools);
        tools ^= 1u << tool;
        int disable = monitoring_call_tool(ts, f, args + 1, (size_t)nargs | PY_VECTORCALL_ARGUMENTS_OFFSET, tool, event);
        if (disable < 0) status = -1;
        else if (disable && event >= _PY_MONITORING_LOCAL_EVENTS) status = monitoring_cannot_disable(ts, tool, event);
        else if (disable) {
            co->_co_monitoring->tools[at] &= (uint8_t)~(1 << tool);
            instrument_layers_write(co, at);
        }
    }
    Py_DECREF(offset);
    return status;
}

int instrument_call(PyThreadState *ts, int event, Frame *f, CodeUnit *instr)
{
    PyObject *args[3] = {NULL};
    return call_tools(ts, event, f, instr, 2, args);
}

int instrument_call_arg(PyThreadState *ts, int event, Frame *f, CodeUnit *instr, PyObject *arg)
{
    PyObject *args[4] = {NULL, NULL, NULL, arg};
    return call_tools(ts, event, f, instr, 3, args);
}

int instrument_call_2args(PyThreadState *ts, int event, Frame *f, CodeUnit *instr, PyObject *arg0, PyObject *arg1)
{
    PyObject *args[5] = {NULL, NULL, NULL, arg0, arg1};
    return call_tools(ts, event, f, instr, 4, args);
}

int instrument_call_jump(PyThreadState *ts, int event, Frame *f, CodeUnit *instr, CodeUnit *target)
{
    if (ts->tracing) return 0;
    PyObject *to = PyLong_FromLong((target - CODE_UNITS(f->f_executable)) * (long)sizeof(CodeUnit));
    if (!to) return -1;
    PyObject *args[4] = {NULL, NULL, NULL, to};
    int status = call_tools(ts, event, f, instr, 3, args);
    Py_DECREF(to);
    return status;
}

/* What a callable that is not Python code came to: C_RETURN, or C_RAISE. Takes result, gives it back, or NULL. */
PyObject *instrument_called(PyThreadState *ts, Frame *f, CodeUnit *instr, PyObject *callable, PyObject *arg, PyObject *result)
{
    if (result) {
        if (instrument_call_2args(ts, EVENT_C_RETURN, f, instr, callable, arg) < 0) Py_CLEAR(result);
        return result;
    }
    PyObject *exc = PyErr_GetRaisedException(), *args[5] = {NULL, NULL, NULL, callable, arg};
    if (call_tools(ts, EVENT_C_RAISE, f, instr, 4, args) == 0) PyErr_SetRaisedException(exc);
    else Py_XDECREF(exc);
    return NULL;
}

/* An event with the current exception as its argument. 0, or -1: a tool raised another one. */
int instrument_exception(PyThreadState *ts, Frame *f, CodeUnit *instr, int event)
{
    if (ts->tracing) return 0;
    PyObject *exc = PyErr_GetRaisedException(), *args[4] = {NULL, NULL, NULL, exc};
    int status = exc ? call_tools(ts, event, f, instr, 3, args) : 0;
    if (status == 0) PyErr_SetRaisedException(exc);
    else Py_XDECREF(exc);
    return status;
}

int instrument_stop_iteration(PyThreadState *ts, Frame *f, CodeUnit *instr, PyObject *value)
{
    if (ts->tracing || !tools_at(ts, frame_code(f), (int)(instr - CODE_UNITS(f->f_executable)), EVENT_STOP_ITERATION)) return 0;
    PyErr_SetObject(PyExc_StopIteration, value);
    if (instrument_exception(ts, f, instr, EVENT_STOP_ITERATION) < 0) return -1;
    PyErr_Clear();
    return 0;
}

int instrument_handled(PyThreadState *ts, Frame *f, CodeUnit *instr, PyObject *exc)
{
    PyObject *args[4] = {NULL, NULL, NULL, exc};
    return call_tools(ts, EVENT_EXCEPTION_HANDLED, f, instr, 3, args);
}

/* PUSH_EXC_INFO, at the entry of a handler, is covered by the cleanup of that handler, which would take the exception that waits
 * on the stack for the one that was handled before; what is raised there belongs to whatever covers the cleanup. */
CodeUnit *instrument_handler_outside(PyCodeObject *co, CodeUnit *at)
{
    int target, depth, lasti, unit = (int)(at - CODE_UNITS(co));
    if (code_base_opcode(co, unit) != PUSH_EXC_INFO || !code_find_handler(co, unit, &target, &depth, &lasti)) return at;
    return CODE_UNITS(co) + target;
}

/* ---- lines and instructions --------------------------------------------------------------------------------------------------------- */

/* sys.settrace() is called without a detour. */
static int trace_line(PyThreadState *ts, Frame *f, int line)
{
    if (!ts->c_tracefunc || line < 0) return 0;
    PyFrameObject *object = frame_object(f);
    if (!object) return -1;
    if (!object->f_trace_lines) return 0;
    Telling before = telling_begin(ts, EVENT_LINE, f);
    Py_INCREF(object);
    object->f_lineno = line;
    int status = ts->c_tracefunc(ts->c_traceobj, object, PyTrace_LINE, Py_None);
    object->f_lineno = 0;
    Py_DECREF(object);
    telling_end(ts, before);
    return status ? -1 : 0;
}

/* LINE to all tools but sys.settrace(), INSTRUCTION to all: they get the code and a number. */
static int tell_number(PyThreadState *ts, Frame *f, int at, int event, long value, unsigned tools, uint8_t *listeners)
{
    PyCodeObject *co = frame_code(f);
    PyObject *number = PyLong_FromLong(value), *args[3] = {NULL, (PyObject *)co, number};
    if (!number) return -1;
    int status = 0;
    while (tools && status == 0) {
        int tool = 31 - __builtin_clz(tools);
        tools ^= 1u << tool;
        int disable = monitoring_call_tool(ts, f, args + 1, 2 | PY_VECTORCALL_ARGUMENTS_OFFSET, tool, event);
        if (disable < 0) status = -1;
        else if (disable) {
            listeners[at] &= (uint8_t)~(1 << tool);
            instrument_layers_write(co, at);
        }
    }
    Py_DECREF(number);
    return status;
}

int instrument_line(PyThreadState *ts, Frame *f, CodeUnit *instr, CodeUnit *previous)
{
    PyCodeObject *co = frame_code(f);
    _PyCoMonitoringData *m = co->_co_monitoring;
    int at = (int)(instr - CODE_UNITS(co));
    unsigned tools = m->line_tools[at];
    if (tools && !instrument_line_goes_on(co, at, previous)) {
        int line = instrument_line_numbers(co)[at];
        if (tools & 1 << TOOL_SYS_TRACE) {
            tools &= ~(1u << TOOL_SYS_TRACE);
            if (trace_line(ts, f, line) < 0) return -1;
        }
        if (tools && tell_number(ts, f, at, EVENT_LINE, line, tools, m->line_tools) < 0) return -1;
    }
    int now = instr->op.code;                               /* the callbacks may have changed the layers */
    return now == INSTRUMENTED_LINE ? m->lines->data[at] : now;
}

int instrument_instruction(PyThreadState *ts, Frame *f, CodeUnit *instr)
{
    PyCodeObject *co = frame_code(f);
    _PyCoMonitoringData *m = co->_co_monitoring;
    int at = (int)(instr - CODE_UNITS(co)), below = m->per_instruction_opcodes[at];
    unsigned tools = m->per_instruction_tools[at];
    if (ts->tracing || !tools) return below;
    if (tell_number(ts, f, at, EVENT_INSTRUCTION, at * (long)sizeof(CodeUnit), tools, m->per_instruction_tools) < 0) return -1;
    return instrument_below_instruction(co, at);            /* the callbacks may have changed the layers */
}
