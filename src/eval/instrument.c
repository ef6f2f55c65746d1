/* Instrumentation: bytecode of a code object rewritten to what the tools want to hear (PEP 669).
 *
 * Three layers can cover an instruction, each keeping what is below it in a side array:
 *     INSTRUMENTED_LINE          lines->data[unit] is what is below     where a line starts
 *     INSTRUMENTED_INSTRUCTION   per_instruction_opcodes[unit]          everywhere, for opcode tracing
 *     INSTRUMENTED_<op>          the canonical <op> is known            events of the instruction itself
 * tools, line_tools and per_instruction_tools say who listens at each unit: a callback that returns DISABLE leaves just there.
 * A code object is brought up to date when RESUME sees that its version is not the global one (the upper bits of
 * eval_breaker); frames that are running are updated at once. */
#include "eval/eval_private.h"
#include "eval/monitoring.h"

static const uint8_t instrumented_form[OPCODE_LIMIT] = {
#define INSTRUMENTED(name, number, base, ...) [base] = number,
#include "eval/instructions.def"
};

static const int8_t event_of_opcode[OPCODE_LIMIT] = {
    [RESUME] = EVENT_PY_START + 1, [RETURN_CONST] = EVENT_PY_RETURN + 1, [RETURN_VALUE] = EVENT_PY_RETURN + 1,
    [YIELD_VALUE] = EVENT_PY_YIELD + 1, [CALL] = EVENT_CALL + 1, [CALL_KW] = EVENT_CALL + 1, [CALL_FUNCTION_EX] = EVENT_CALL + 1,
    [LOAD_SUPER_ATTR] = EVENT_CALL + 1, [JUMP_FORWARD] = EVENT_JUMP + 1, [JUMP_BACKWARD] = EVENT_JUMP + 1,
    [POP_JUMP_IF_FALSE] = EVENT_BRANCH + 1, [POP_JUMP_IF_TRUE] = EVENT_BRANCH + 1, [POP_JUMP_IF_NONE] = EVENT_BRANCH + 1,
    [POP_JUMP_IF_NOT_NONE] = EVENT_BRANCH + 1, [FOR_ITER] = EVENT_BRANCH + 1, [END_FOR] = EVENT_STOP_ITERATION + 1,
    [END_SEND] = EVENT_STOP_ITERATION + 1,
};

static int event_at(PyCodeObject *co, int i, int op)
{
    if (op == RESUME) return CODE_UNITS(co)[i].op.arg ? EVENT_PY_RESUME : EVENT_PY_START;
    return event_of_opcode[op] - 1;
}

static inline int unit_length(int op) { return 1 + opcode_cache_units[op]; }

/* ---- layers ------------------------------------------------------------------------------------------------------------------ */

/* Puts at unit i what its tools ask for. Keeps a specialised form when nobody listens. */
static void layers_write(PyCodeObject *co, int i)
{
    _PyCoMonitoringData *m = co->_co_monitoring;
    CodeUnit *unit = &CODE_UNITS(co)[i];
    int base = code_base_opcode(co, i), now = base;
    bool covered = false;
    if (m->tools && m->tools[i] && instrumented_form[base]) {
        now = instrumented_form[base];
        covered = true;
    }
    if (m->per_instruction_tools && m->per_instruction_tools[i]) {
        m->per_instruction_opcodes[i] = (uint8_t)now;
        now = INSTRUMENTED_INSTRUCTION;
        covered = true;
    }
    if (m->line_tools && m->line_tools[i]) {
        m->lines->data[i] = (uint8_t)now;
        now = INSTRUMENTED_LINE;
        covered = true;
    }
    if (covered || unit->op.code >= MIN_INSTRUMENTED_OPCODE || unit->op.code == INSTRUMENTED_LINE) unit->op.code = (uint8_t)now;
}

/* ---- where lines start ------------------------------------------------------------------------------------------------------------ */

/* starts[i]: 1 when a line event belongs there. PyMem; NULL with MemoryError. */
static uint8_t *line_starts(PyCodeObject *co)
{
    int n = (int)Py_SIZE(co);
    uint8_t *starts = PyMem_Calloc((size_t)n + 1, 1);
    int *line_of = PyMem_Malloc(((size_t)n + 1) * sizeof(int));
    if (!starts || !line_of) {
        PyMem_Free(starts);
        PyMem_Free(line_of);
        PyErr_NoMemory();
        return NULL;
    }
    PyCodeAddressRange range;
    code_lines_begin(&range, co);
    for (int i = 0; i < n; i++) line_of[i] = _PyCode_CheckLineNumber(i * (int)sizeof(CodeUnit), &range);
    int current = -1;
    for (int i = co->_co_firsttraceable; i < n;) {
        int op = code_base_opcode(co, i);
        if (op != END_ASYNC_FOR && op != END_FOR && op != END_SEND && op != RESUME) {
            starts[i] = line_of[i] >= 0 && line_of[i] != current;
            current = line_of[i];
        }
        i += unit_length(op);
    }
    /* a target on another line than its jump starts that line, too; and so does a handler */
    int extended = 0;
    for (int i = co->_co_firsttraceable; i < n;) {
        int op = code_base_opcode(co, i), oparg = extended << 8 | CODE_UNITS(co)[i].op.arg, next = i + unit_length(op), target = -1;
        extended = op == EXTENDED_ARG ? oparg : 0;
        if (op == JUMP_BACKWARD || op == JUMP_BACKWARD_NO_INTERRUPT) target = next - oparg;
        else if (opcode_has_jump(op)) target = next + oparg;
        if (target >= 0 && target < n) {
            if (op == FOR_ITER && target + 2 < n) target += 2;              /* over END_FOR and POP_TOP */
            int at = code_base_opcode(co, target);
            if (line_of[target] >= 0 && line_of[target] != line_of[i] && at != END_SEND && at != RESUME && at != END_FOR && at != END_ASYNC_FOR)
                starts[target] = 1;
        }
        i = next;
    }
    int last = -1;
    for (int i = 0; i < n; i++) {
        int target, depth, lasti;
        if (code_find_handler(co, i, &target, &depth, &lasti) && target != last && target < n) {
            last = target;
            if (line_of[target] >= 0) starts[target] = 1;
        }
    }
    PyMem_Free(line_of);
    return starts;
}

/* ---- bringing a code object up to date --------------------------------------------------------------------------------------------- */

static int arrays_make(PyCodeObject *co, const _Py_LocalMonitors *active)
{
    _PyCoMonitoringData *m = co->_co_monitoring;
    size_t n = (size_t)Py_SIZE(co);
    if (!m->tools && !(m->tools = PyMem_Calloc(n, 1))) goto no_memory;
    if (active->tools[EVENT_LINE] && !m->lines) {
        if (!(m->lines = PyMem_Calloc(1, sizeof(_PyCoLineInstrumentationData) + n))) goto no_memory;
        m->lines->bytes_per_entry = 1;
        if (!(m->line_tools = PyMem_Calloc(n, 1))) goto no_memory;
    }
    if (active->tools[EVENT_INSTRUCTION] && !m->per_instruction_opcodes) {
        if (!(m->per_instruction_opcodes = PyMem_Calloc(n, 1)) || !(m->per_instruction_tools = PyMem_Calloc(n, 1))) goto no_memory;
    }
    return 0;
no_memory:
    PyErr_NoMemory();
    return -1;
}

static int code_update(PyCodeObject *co, PyInterpreterState *interp)
{
    EvalState *s = &interp->eval;
    if (co->co_flags & CO_NO_MONITORING_EVENTS) goto done;
    _Py_LocalMonitors active, added, removed;
    _PyCoMonitoringData *m = co->_co_monitoring;
    bool any = false;
    for (int e = 0; e < _PY_MONITORING_LOCAL_EVENTS; e++) {
        active.tools[e] = (uint8_t)(s->monitors.tools[e] | (m ? m->local_monitors.tools[e] : 0));
        any = any || active.tools[e];
    }
    if (!m) {
        if (!any) goto done;
        if (!(m = co->_co_monitoring = PyMem_Calloc(1, sizeof *m))) {
            PyErr_NoMemory();
            return -1;
        }
    }
    bool restarted = s->last_restart_version > co->_co_instrumentation_version;
    for (int e = 0; e < _PY_MONITORING_LOCAL_EVENTS; e++) {
        uint8_t old = m->active_monitors.tools[e];
        added.tools[e] = restarted ? active.tools[e] : (uint8_t)(active.tools[e] & ~old);
        removed.tools[e] = (uint8_t)(old & ~active.tools[e]);
    }
    if (arrays_make(co, &active) < 0) return -1;
    uint8_t *starts = NULL;
    if (added.tools[EVENT_LINE] && !(starts = line_starts(co))) return -1;
    m->active_monitors = active;
    int n = (int)Py_SIZE(co);
    for (int i = co->_co_firsttraceable; i < n;) {
        int op = code_base_opcode(co, i), event = event_at(co, i, op);
        if (event >= 0) m->tools[i] = (uint8_t)((m->tools[i] & ~removed.tools[event]) | added.tools[event]);
        if (m->line_tools) {
            m->line_tools[i] &= (uint8_t)~removed.tools[EVENT_LINE];
            if (starts && starts[i]) m->line_tools[i] |= added.tools[EVENT_LINE];
        }
        if (m->per_instruction_tools) {
            m->per_instruction_tools[i] &= (uint8_t)~removed.tools[EVENT_INSTRUCTION];
            if (op != EXTENDED_ARG && op != RESUME) m->per_instruction_tools[i] |= added.tools[EVENT_INSTRUCTION];
        }
        layers_write(co, i);
        i += unit_length(op);
    }
    PyMem_Free(starts);
done:
    co->_co_instrumentation_version = s->monitoring_version;
    return 0;
}

int instrument_code(PyCodeObject *co, PyInterpreterState *interp)
{
    if (co->_co_instrumentation_version == interp->eval.monitoring_version) return 0;
    return code_update(co, interp);
}

static int instrument_running(PyInterpreterState *interp)
{
    for (PyThreadState *ts = interp->runtime.threads; ts; ts = ts->next)
        for (Frame *f = ts->current_frame; f; f = f->previous)
            if (f->owner != FRAME_OWNED_BY_CSTACK && instrument_code(frame_code(f), interp) < 0) return -1;
    return 0;
}

static void version_next(PyInterpreterState *interp, int steps)
{
    EvalState *s = &interp->eval;
    s->monitoring_version += (uintptr_t)steps * (EVAL_EVENTS_MASK + 1);
    for (PyThreadState *ts = interp->runtime.threads; ts; ts = ts->next) {
        uintptr_t old = __atomic_load_n(&ts->eval_breaker, __ATOMIC_RELAXED);
        while (!__atomic_compare_exchange_n(&ts->eval_breaker, &old, (old & EVAL_EVENTS_MASK) | s->monitoring_version, false,
                                            __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {}
    }
}

int instrument_all(PyInterpreterState *interp)
{
    interp->eval.last_restart_version = interp->eval.monitoring_version + EVAL_EVENTS_MASK + 1;
    version_next(interp, 2);
    return instrument_running(interp);
}

int monitoring_set_events(PyInterpreterState *interp, int tool, uint32_t events)
{
    EvalState *s = &interp->eval;
    uint32_t old = monitoring_events_of(s->monitors.tools, _PY_MONITORING_UNGROUPED_EVENTS, tool);
    if (old == events) return 0;
    for (int e = 0; e < _PY_MONITORING_UNGROUPED_EVENTS; e++)
        s->monitors.tools[e] = (uint8_t)((s->monitors.tools[e] & ~(1 << tool)) | ((events >> e & 1) << tool));
    version_next(interp, 1);
    return instrument_running(interp);
}

int monitoring_set_local_events(PyCodeObject *co, int tool, uint32_t events)
{
    if (!co->_co_monitoring && !(co->_co_monitoring = PyMem_Calloc(1, sizeof(_PyCoMonitoringData)))) {
        PyErr_NoMemory();
        return -1;
    }
    uint8_t *tools = co->_co_monitoring->local_monitors.tools;
    if (monitoring_events_of(tools, _PY_MONITORING_LOCAL_EVENTS, tool) == events) return 0;
    for (int e = 0; e < _PY_MONITORING_LOCAL_EVENTS; e++) tools[e] = (uint8_t)((tools[e] & ~(1 << tool)) | ((events >> e & 1) << tool));
    return code_update(co, interp_get());
}

/* ---- calling tools ------------------------------------------------------------------------------------------------------------------- */

/* 0 go on, 1 DISABLE, -1 */
int monitoring_call_tool(PyThreadState *ts, PyObject *const *args, size_t nargsf, int tool, int event)
{
    PyObject *callable = ts->interp->eval.monitoring_callables[tool][event];
    if (!callable) return 0;
    int old = ts->what_event;
    ts->what_event = event;
    ts->tracing++;
    Py_INCREF(callable);
    PyObject *r = PyObject_Vectorcall(callable, args, nargsf, NULL);
    Py_DECREF(callable);
    ts->tracing--;
    ts->what_event = old;
    if (!r) return -1;
    int disable = r == ts->interp->eval.monitoring_disable;
    Py_DECREF(r);
    return disable;
}

int monitoring_cannot_disable(PyThreadState *ts, int tool, int event)
{
    Py_CLEAR(ts->interp->eval.monitoring_callables[tool][event]);
    PyErr_Format(PyExc_ValueError, "Cannot disable %s events. Callback removed.", monitoring_event_names[event]);
    return -1;
}

static uint8_t tools_at(PyThreadState *ts, PyCodeObject *co, int i, int event)
{
    if (event >= _PY_MONITORING_UNGROUPED_EVENTS) event = EVENT_CALL;
    if (event >= _PY_MONITORING_LOCAL_EVENTS) return ts->interp->eval.monitors.tools[event];
    _PyCoMonitoringData *m = co->_co_monitoring;
    return m && m->tools ? m->tools[i] : 0;
}

/* args[1] and args[2] are filled in: code and offset. */
static int call_tools(PyThreadState *ts, int event, Frame *f, CodeUnit *instr, Py_ssize_t nargs, PyObject **args)
{
    if (ts->tracing) return 0;
    PyCodeObject *co = frame_code(f);
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
        int disable = monitoring_call_tool(ts, args + 1, (size_t)nargs | PY_VECTORCALL_ARGUMENTS_OFFSET, tool, event);
        if (disable < 0) status = -1;
        else if (disable && event >= _PY_MONITORING_LOCAL_EVENTS) status = monitoring_cannot_disable(ts, tool, event);
        else if (disable) {
            co->_co_monitoring->tools[at] &= (uint8_t)~(1 << tool);
            layers_write(co, at);
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

CodeUnit *instrument_call_jump(PyThreadState *ts, int event, Frame *f, CodeUnit *instr, CodeUnit *target)
{
    if (ts->tracing) return target;
    PyObject *to = PyLong_FromLong((target - CODE_UNITS(f->f_executable)) * (long)sizeof(CodeUnit));
    if (!to) return NULL;
    PyObject *args[4] = {NULL, NULL, NULL, to};
    int status = call_tools(ts, event, f, instr, 3, args);
    Py_DECREF(to);
    return status < 0 ? NULL : target;
}

/* C_RAISE: with an exception set, which stays unless a tool raises another. */
void instrument_call_exc(PyThreadState *ts, int event, Frame *f, CodeUnit *instr, PyObject *callable)
{
    PyObject *exc = PyErr_GetRaisedException(), *args[5] = {NULL, NULL, NULL, callable, monitoring_missing(ts)};
    if (call_tools(ts, event, f, instr, 4, args) == 0) PyErr_SetRaisedException(exc);
    else Py_XDECREF(exc);
}

/* An event with the current exception as its argument. 0, or -1: a tool raised another one. */
static int call_with_exception(PyThreadState *ts, int event, Frame *f, CodeUnit *instr)
{
    if (ts->tracing) return 0;
    PyObject *exc = PyErr_GetRaisedException(), *args[4] = {NULL, NULL, NULL, exc};
    int status = call_tools(ts, event, f, instr, 3, args);
    if (status == 0) PyErr_SetRaisedException(exc);
    else Py_XDECREF(exc);
    return status;
}

void instrument_raise(PyThreadState *ts, Frame *f, CodeUnit *instr, int event)
{
    if (frame_is_incomplete(f) && event != EVENT_STOP_ITERATION) return;
    (void)call_with_exception(ts, event, f, instr);
}

void instrument_unwind(PyThreadState *ts, Frame *f, CodeUnit *instr) { (void)call_with_exception(ts, EVENT_PY_UNWIND, f, instr); }
int instrument_throw(PyThreadState *ts, Frame *f, CodeUnit *instr) { return call_with_exception(ts, EVENT_PY_THROW, f, instr); }

int instrument_handled(PyThreadState *ts, Frame *f, CodeUnit *instr, PyObject *exc)
{
    PyObject *args[4] = {NULL, NULL, NULL, exc};
    return call_tools(ts, EVENT_EXCEPTION_HANDLED, f, instr, 3, args);
}

/* ---- lines and instructions --------------------------------------------------------------------------------------------------------- */

/* sys.settrace() is called without a detour. */
static int trace_line(PyThreadState *ts, Frame *f)
{
    if (!ts->c_tracefunc) return 0;
    PyFrameObject *object = frame_object(f);
    if (!object) {
        PyErr_NoMemory();
        return -1;
    }
    if (!object->f_trace_lines) return 0;
    int old = ts->what_event;
    ts->what_event = EVENT_LINE;
    ts->tracing++;
    Py_INCREF(object);
    int status = ts->c_tracefunc(ts->c_traceobj, object, PyTrace_LINE, Py_None);
    Py_DECREF(object);
    ts->what_event = old;
    ts->tracing--;
    return status ? -1 : 0;
}

int instrument_line(PyThreadState *ts, Frame *f, CodeUnit *instr, CodeUnit *previous)
{
    PyCodeObject *co = frame_code(f);
    _PyCoMonitoringData *m = co->_co_monitoring;
    int at = (int)(instr - CODE_UNITS(co));
    unsigned tools = m->line_tools[at];
    int line = PyCode_Addr2Line(co, at * (int)sizeof(CodeUnit));
    int before = (int)(previous - CODE_UNITS(co));
    if (before >= 0 && before < Py_SIZE(co) && before != at) {
        int op = CODE_UNITS(co)[before].op.code;
        if (op != INSTRUMENTED_RESUME && PyCode_Addr2Line(co, before * (int)sizeof(CodeUnit)) == line) return m->lines->data[at];
    }
    if (tools & 1 << TOOL_SYS_TRACE) {
        tools &= ~(1u << TOOL_SYS_TRACE);
        if (trace_line(ts, f) < 0) return -1;
    }
    if (tools) {
        PyObject *number = PyLong_FromLong(line);
        if (!number) return -1;
        PyObject *args[3] = {NULL, (PyObject *)co, number};
        while (tools) {
            int tool = 31 - __builtin_clz(tools);
            tools ^= 1u << tool;
            int disable = monitoring_call_tool(ts, args + 1, 2 | PY_VECTORCALL_ARGUMENTS_OFFSET, tool, EVENT_LINE);
            if (disable < 0) {
                Py_DECREF(number);
                return -1;
            }
            if (disable && m->line_tools) {
                m->line_tools[at] &= (uint8_t)~(1 << tool);
                layers_write(co, at);
            }
        }
        Py_DECREF(number);
    }
    /* the callbacks may have changed the layers */
    int now = CODE_UNITS(co)[at].op.code;
    return now == INSTRUMENTED_LINE ? m->lines->data[at] : now;
}

int instrument_instruction(PyThreadState *ts, Frame *f, CodeUnit *instr)
{
    PyCodeObject *co = frame_code(f);
    _PyCoMonitoringData *m = co->_co_monitoring;
    int at = (int)(instr - CODE_UNITS(co)), original = m->per_instruction_opcodes[at];
    if (ts->tracing) return original;
    unsigned tools = m->per_instruction_tools ? m->per_instruction_tools[at] : m->active_monitors.tools[EVENT_INSTRUCTION];
    PyObject *offset = PyLong_FromLong(at * (long)sizeof(CodeUnit)), *args[3] = {NULL, (PyObject *)co, offset};
    if (!offset) return -1;
    while (tools) {
        int tool = 31 - __builtin_clz(tools);
        tools ^= 1u << tool;
        int disable = monitoring_call_tool(ts, args + 1, 2 | PY_VECTORCALL_ARGUMENTS_OFFSET, tool, EVENT_INSTRUCTION);
        if (disable < 0) {
            Py_DECREF(offset);
            return -1;
        }
        if (disable) {
            m->per_instruction_tools[at] &= (uint8_t)~(1 << tool);
            layers_write(co, at);
        }
    }
    Py_DECREF(offset);
    int base = code_base_opcode(co, at);
    return m->tools && m->tools[at] && instrumented_form[base] ? instrumented_form[base] : base;
}
