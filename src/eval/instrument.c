/* Instrumentation: bytecode of a code object rewritten to what the tools want to hear (PEP 669).
 *
 * Three layers can cover an instruction, each keeping what is below it in a side array:
 *     INSTRUMENTED_LINE          lines->data[unit] is what is below     where a line starts
 *     INSTRUMENTED_INSTRUCTION   per_instruction_opcodes[unit]          everywhere, for opcode tracing
 *     INSTRUMENTED_<op>          the canonical <op> is known            events of the instruction itself
 * What happens at each is in instrument_events.c. tools, line_tools and per_instruction_tools say who listens at each unit: a callback that returns DISABLE leaves just there.
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

/* ---- lines ----------------------------------------------------------------------------------------------------------------------
 *
 * Made once for a code object: what is below INSTRUMENTED_LINE, what is known of each unit, and its line (-1: none). A line
 * event happens where control comes from another line, so the instruction that ran before must be known exactly; but simple
 * instructions do not say where they are. Hence: a START that is no jump target was reached from the instruction in front of it
 * (at the distance in the low bits), and all those that can lead to a target are covered, too (TOUCH): INSTRUMENTED_LINE
 * stores the position and passes on. RESUMED: a RESUME that ran, which CPython would have specialised and not taken for one. */

enum { LINE_DISTANCE = 15, LINE_START = 16, LINE_TOUCH = 32, LINE_TARGET = 64, LINE_RESUMED = 128 };

static uint8_t *line_infos(PyCodeObject *co) { return co->_co_monitoring->lines->data + Py_SIZE(co); }

/* Where an instruction at i may jump to, or -1; next is the unit behind it. */
static int jump_target(int op, int oparg, int next)
{
    if (op == JUMP_BACKWARD || op == JUMP_BACKWARD_NO_INTERRUPT) return next - oparg;
    if (op == FOR_ITER || op == SEND) return next + oparg + 1;              /* over END_FOR or END_SEND */
    return opcode_has_jump(op) ? next + oparg : -1;
}

static void lines_mark_targets(PyCodeObject *co, uint8_t *infos, const int32_t *numbers)
{
    int n = (int)Py_SIZE(co), extended = 0;
    for (int i = co->_co_firsttraceable; i < n;) {
        int op = code_base_opcode(co, i), oparg = extended << 8 | CODE_UNITS(co)[i].op.arg, next = i + unit_length(op);
        int target = jump_target(op, oparg, next);
        extended = op == EXTENDED_ARG ? oparg : 0;
        if (target >= 0 && target < n) {
            infos[i] |= LINE_TOUCH;
            for (int at = target; at <= target + (op == FOR_ITER) && at < n; at++) {      /* FOR_ITER skips POP_TOP as well */
                infos[at] |= LINE_TARGET;
                if (at == target && numbers[at] >= 0) infos[at] |= LINE_START;
            }
        }
        i = next;
    }
    int last = -1;
    for (int i = 0; i < n; i++) {
        int target, depth, lasti;
        if (code_find_handler(co, i, &target, &depth, &lasti) && target != last && target >= 0 && target < n) {
            last = target;
            infos[target] |= LINE_TARGET;
            if (numbers[target] >= 0) infos[target] |= LINE_START;
        }
    }
}

/* 0, or -1 with MemoryError */
static int lines_make(PyCodeObject *co)
{
    _PyCoMonitoringData *m = co->_co_monitoring;
    size_t n = (size_t)Py_SIZE(co);
    _PyCoLineInstrumentationData *lines = PyMem_Calloc(1, sizeof *lines + 2 * n + (n + 1) * sizeof(int32_t));
    uint8_t *tools = PyMem_Calloc(n, 1);
    if (!lines || !tools) {
        PyMem_Free(lines);
        PyMem_Free(tools);
        PyErr_NoMemory();
        return -1;
    }
    lines->bytes_per_entry = 1;
    m->lines = lines;
    m->line_tools = tools;
    int32_t *numbers = instrument_line_numbers(co);
    uint8_t *infos = line_infos(co);
    PyCodeAddressRange range;
    code_lines_begin(&range, co);
    for (size_t i = 0; i < n; i++) numbers[i] = _PyCode_CheckLineNumber((int)i * (int)sizeof(CodeUnit), &range);
    int current = -1;
    for (int i = co->_co_firsttraceable, length; i < (int)n; i += length) {
        int op = code_base_opcode(co, i);
        length = unit_length(op);
        if (i + length < (int)n) infos[i + length] |= (uint8_t)length;
        if (CODE_UNITS(co)[i].op.code == RESUME_CHECK) infos[i] |= LINE_RESUMED;
        if (op == END_ASYNC_FOR || op == END_FOR || op == END_SEND || op == RESUME) continue;   /* never start a line */
        if (numbers[i] >= 0 && numbers[i] != current) infos[i] |= LINE_START;
        current = numbers[i];
    }
    lines_mark_targets(co, infos, numbers);
    for (int i = co->_co_firsttraceable; i < (int)n; i += unit_length(code_base_opcode(co, i))) {
        int before = i - (infos[i] & LINE_DISTANCE);
        if (infos[i] & LINE_TARGET && before != i && !opcode_no_fallthrough(code_base_opcode(co, before))) infos[before] |= LINE_TOUCH;
        int op = code_base_opcode(co, i);
        if (op == RESUME || op == END_FOR || op == END_SEND || op == END_ASYNC_FOR) infos[i] &= (uint8_t)~LINE_START;
    }
    return 0;
}

void instrument_line_resumed(PyCodeObject *co, int unit) { line_infos(co)[unit] |= LINE_RESUMED; }

/* Was the same line running already? */
bool instrument_line_goes_on(PyCodeObject *co, int at, const CodeUnit *previous)
{
    const uint8_t *infos = line_infos(co);
    int before = (int)(previous - CODE_UNITS(co));
    if (before != at && !(infos[at] & LINE_TARGET)) before = at - (infos[at] & LINE_DISTANCE);
    if (before < 0 || before >= Py_SIZE(co) || CODE_UNITS(co)[before].op.code == INSTRUMENTED_RESUME) return false;
    if (CODE_UNITS(co)[before].op.code == RESUME && !(infos[before] & LINE_RESUMED)) return false;
    const int32_t *numbers = instrument_line_numbers(co);
    return numbers[before] == numbers[at];
}

/* ---- layers ------------------------------------------------------------------------------------------------------------------ */

/* Puts at unit i what its tools ask for. Keeps a specialised form when nobody listens. */
void instrument_layers_write(PyCodeObject *co, int i)
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
    bool lines = m->active_monitors.tools[EVENT_LINE];
    if (lines && (m->line_tools[i] || line_infos(co)[i] & LINE_TOUCH) && base != RESUME) {
        m->lines->data[i] = (uint8_t)now;
        now = INSTRUMENTED_LINE;
        covered = true;
    }
    if (base == RESUME && lines) covered = true;             /* no RESUME_CHECK: it does not say where it is */
    if (covered || unit->op.code >= MIN_INSTRUMENTED_OPCODE) unit->op.code = (uint8_t)now;
}

/* What an instruction is below the layers of lines and instructions. */
int instrument_below_instruction(PyCodeObject *co, int i)
{
    const _PyCoMonitoringData *m = co->_co_monitoring;
    int base = code_base_opcode(co, i);
    return m->tools && m->tools[i] && instrumented_form[base] ? instrumented_form[base] : base;
}

/* ---- bringing a code object up to date --------------------------------------------------------------------------------------------- */

static int arrays_make(PyCodeObject *co, const _Py_LocalMonitors *active)
{
    _PyCoMonitoringData *m = co->_co_monitoring;
    size_t n = (size_t)Py_SIZE(co);
    if (!m->tools && !(m->tools = PyMem_Calloc(n, 1))) goto no_memory;
    if (active->tools[EVENT_LINE] && !m->lines && lines_make(co) < 0) return -1;
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
    m->active_monitors = active;
    const uint8_t *infos = m->lines ? line_infos(co) : NULL;
    int n = (int)Py_SIZE(co);
    for (int i = co->_co_firsttraceable; i < n;) {
        int op = code_base_opcode(co, i), event = event_at(co, i, op);
        if (event >= 0) m->tools[i] = (uint8_t)((m->tools[i] & ~removed.tools[event]) | added.tools[event]);
        if (m->line_tools) {
            m->line_tools[i] &= (uint8_t)~removed.tools[EVENT_LINE];
            if (infos[i] & LINE_START) m->line_tools[i] |= added.tools[EVENT_LINE];
        }
        if (m->per_instruction_tools) {
            m->per_instruction_tools[i] &= (uint8_t)~removed.tools[EVENT_INSTRUCTION];
            if (op != RESUME && op != END_FOR) m->per_instruction_tools[i] |= added.tools[EVENT_INSTRUCTION];
        }
        instrument_layers_write(co, i);
        i += unit_length(op);
    }
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
