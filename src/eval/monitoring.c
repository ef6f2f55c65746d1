/* sys.monitoring (PEP 669): the module, tools and callbacks, and the C interface for code that is not ours. */
#include "eval/monitoring.h"
#include "capi/args.h"
#include "objects/namespace.h"

const char *const monitoring_event_names[_PY_MONITORING_EVENTS] = {
    "PY_START", "PY_RESUME", "PY_RETURN", "PY_YIELD", "CALL", "LINE", "INSTRUCTION", "JUMP", "BRANCH", "STOP_ITERATION", "RAISE",
    "EXCEPTION_HANDLED", "PY_UNWIND", "PY_THROW", "RERAISE", "C_RETURN", "C_RAISE",
};

enum { C_RETURN_EVENTS = 1 << EVENT_C_RETURN | 1 << EVENT_C_RAISE, C_CALL_EVENTS = C_RETURN_EVENTS | 1 << EVENT_CALL };

PyObject *monitoring_register(PyInterpreterState *interp, int tool, int event, PyObject *callable)
{
    PyObject *old = interp->eval.monitoring_callables[tool][event];
    interp->eval.monitoring_callables[tool][event] = Py_XNewRef(callable);
    return old;
}

/* DISABLE and MISSING: plain objects. */
static int sentinels_make(EvalState *s)
{
    if (!s->monitoring_missing && !(s->monitoring_missing = PyObject_CallNoArgs((PyObject *)&PyBaseObject_Type))) return -1;
    if (!s->monitoring_disable && !(s->monitoring_disable = PyObject_CallNoArgs((PyObject *)&PyBaseObject_Type))) return -1;
    return 0;
}

PyObject *monitoring_missing(PyThreadState *ts)
{
    EvalState *s = &ts->interp->eval;
    return s->monitoring_missing ? s->monitoring_missing : Py_None;
}

/* ---- checks -------------------------------------------------------------------------------------------------------------------------- */

static int tool_check(int tool)
{
    if (tool >= 0 && tool < TOOL_SYS_PROFILE) return tool;
    PyErr_Format(PyExc_ValueError, "invalid tool %d (must be between 0 and 5)", tool);
    return -1;
}

static int tool_arg(PyObject *arg)
{
    int tool = PyLong_AsInt(arg);
    if (tool == -1 && PyErr_Occurred()) return -1;
    return tool_check(tool);
}

static int tool_in_use(int tool)
{
    if (interp_get()->eval.monitoring_tool_names[tool]) return 0;
    PyErr_Format(PyExc_ValueError, "tool %d is not in use", tool);
    return -1;
}

static int code_arg(PyObject *arg)
{
    if (PyCode_Check(arg)) return 0;
    PyErr_Format(PyExc_TypeError, "code must be a code object");
    return -1;
}

/* 0 or -1; takes the C events out, which come with CALL. */
static int events_check(int *events, int limit, const char *what)
{
    unsigned set = (unsigned)*events;
    if (limit < _PY_MONITORING_EVENTS || (*events >= 0 && set < 1u << limit)) {
        if (set & C_RETURN_EVENTS && (set & C_CALL_EVENTS) != C_CALL_EVENTS) {
            PyErr_Format(PyExc_ValueError, "cannot set C_RETURN or C_RAISE events independently");
            return -1;
        }
        set &= ~(unsigned)C_RETURN_EVENTS;
        *events = (int)set;
        if (*events >= 0 && set < 1u << limit) return 0;
    }
    PyErr_Format(PyExc_ValueError, "invalid %s 0x%x", what, set);
    return -1;
}

static int events_arg(PyObject *arg, int *events)
{
    *events = PyLong_AsInt(arg);
    return *events == -1 && PyErr_Occurred() ? -1 : 0;
}

/* ---- functions ------------------------------------------------------------------------------------------------------------------------ */

BUILTIN(sysmon, use_tool_id, POSITIONAL, "($module, tool_id, name, /)", "Claim a tool id.")
{
    int tool = tool_arg(arg[0]);
    if (tool < 0) return NULL;
    if (!PyUnicode_Check(arg[1])) {
        PyErr_SetString(PyExc_ValueError, "tool name must be a str");
        return NULL;
    }
    PyObject **name = &interp_get()->eval.monitoring_tool_names[tool];
    if (*name) {
        PyErr_Format(PyExc_ValueError, "tool %d is already in use", tool);
        return NULL;
    }
    *name = Py_NewRef(arg[1]);
    Py_RETURN_NONE;
}

BUILTIN_O(sysmon, free_tool_id, "($module, tool_id, /)", "Give a tool id back; its events end.")
{
    int tool = tool_arg(arg);
    if (tool < 0) return NULL;
    Interpreter *interp = interp_get();
    if (interp->eval.monitoring_tool_names[tool]) {
        if (monitoring_set_events(interp, tool, 0) < 0) return NULL;
        Py_CLEAR(interp->eval.monitoring_tool_names[tool]);
    }
    Py_RETURN_NONE;
}

BUILTIN_O(sysmon, get_tool, "($module, tool_id, /)", "Name of the tool that uses an id, or None.")
{
    int tool = tool_arg(arg);
    if (tool < 0) return NULL;
    PyObject *name = interp_get()->eval.monitoring_tool_names[tool];
    return Py_NewRef(name ? name : Py_None);
}

BUILTIN(sysmon, register_callback, POSITIONAL, "($module, tool_id, event, func, /)", "Register a callback for one event; returns the one before.")
{
    int tool = tool_arg(arg[0]);
    if (tool < 0) return NULL;
    int event = PyLong_AsInt(arg[1]);
    if (event == -1 && PyErr_Occurred()) return NULL;
    if (event <= 0 || event & (event - 1)) {
        PyErr_SetString(PyExc_ValueError, "The callback can only be set for one event at a time");
        return NULL;
    }
    int number = 31 - __builtin_clz((unsigned)event);
    if (number >= _PY_MONITORING_EVENTS) {
        PyErr_Format(PyExc_ValueError, "invalid event %d", event);
        return NULL;
    }
    if (PySys_Audit("sys.monitoring.register_callback", "O", arg[2]) < 0) return NULL;
    PyObject *old = monitoring_register(interp_get(), tool, number, arg[2] == Py_None ? NULL : arg[2]);
    return old ? old : Py_NewRef(Py_None);
}

BUILTIN_O(sysmon, get_events, "($module, tool_id, /)", "Global events of a tool.")
{
    int tool = tool_arg(arg);
    if (tool < 0) return NULL;
    return PyLong_FromLong((long)monitoring_events_of(interp_get()->eval.monitors.tools, _PY_MONITORING_UNGROUPED_EVENTS, tool));
}

BUILTIN(sysmon, set_events, POSITIONAL, "($module, tool_id, event_set, /)", "Set the global events of a tool.")
{
    int events, tool = PyLong_AsInt(arg[0]);
    if ((tool == -1 && PyErr_Occurred()) || events_arg(arg[1], &events) < 0 || tool_check(tool) < 0 ||
        events_check(&events, _PY_MONITORING_EVENTS, "event set") < 0 || tool_in_use(tool) < 0) return NULL;
    if (monitoring_set_events(interp_get(), tool, (uint32_t)events) < 0) return NULL;
    Py_RETURN_NONE;
}

BUILTIN(sysmon, get_local_events, POSITIONAL, "($module, tool_id, code, /)", "Events of a tool in one code object.")
{
    int tool = tool_arg(arg[0]);
    if (tool < 0 || code_arg(arg[1]) < 0) return NULL;
    _PyCoMonitoringData *m = ((PyCodeObject *)arg[1])->_co_monitoring;
    return PyLong_FromLong(m ? (long)monitoring_events_of(m->local_monitors.tools, _PY_MONITORING_LOCAL_EVENTS, tool) : 0);
}

BUILTIN(sysmon, set_local_events, POSITIONAL, "($module, tool_id, code, event_set, /)", "Set the events of a tool in one code object.")
{
    int events, tool = PyLong_AsInt(arg[0]);
    if ((tool == -1 && PyErr_Occurred()) || events_arg(arg[2], &events) < 0 || tool_check(tool) < 0 || code_arg(arg[1]) < 0 ||
        events_check(&events, _PY_MONITORING_LOCAL_EVENTS, "local event set") < 0 || tool_in_use(tool) < 0) return NULL;
    if (monitoring_set_local_events((PyCodeObject *)arg[1], tool, (uint32_t)events) < 0) return NULL;
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(sysmon, restart_events, "($module, /)", "Enable again what returned DISABLE.")
{
    if (instrument_all(interp_get()) < 0) return NULL;
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(sysmon, _all_events, "($module, /)", "Which tools listen, by event.")
{
    PyObject *dict = PyDict_New();
    for (int e = 0; dict && e < _PY_MONITORING_UNGROUPED_EVENTS; e++) {
        uint8_t tools = interp_get()->eval.monitors.tools[e];
        if (!tools) continue;
        PyObject *number = PyLong_FromLong(tools);
        if (!number || PyDict_SetItemString(dict, monitoring_event_names[e], number) < 0) Py_CLEAR(dict);
        Py_XDECREF(number);
    }
    return dict;
}

static PyMethodDef monitoring_methods[] = {
    METHOD(sysmon, use_tool_id), METHOD(sysmon, free_tool_id), METHOD(sysmon, get_tool), METHOD(sysmon, register_callback),
    METHOD(sysmon, get_events), METHOD(sysmon, set_events), METHOD(sysmon, get_local_events),
    METHOD(sysmon, set_local_events), METHOD(sysmon, restart_events), METHOD(sysmon, _all_events), {0},
};

static struct PyModuleDef monitoring_definition = {
    PyModuleDef_HEAD_INIT, .m_name = "sys.monitoring", .m_size = -1, .m_methods = monitoring_methods,
};

PyObject *monitoring_module_new(void)
{
    EvalState *s = &interp_get()->eval;
    PyObject *module = NULL, *events = NULL, *types = NULL;
    if (sentinels_make(s) < 0 || !(module = PyModule_Create2(&monitoring_definition, PYTHON_API_VERSION))) return NULL;
    if (PyModule_AddObjectRef(module, "DISABLE", s->monitoring_disable) < 0 || PyModule_AddObjectRef(module, "MISSING", s->monitoring_missing) < 0)
        goto fail;
    if (!(events = PyObject_CallNoArgs((PyObject *)&_PyNamespace_Type)) || PyModule_AddObjectRef(module, "events", events) < 0) goto fail;
    for (int e = 0; e <= _PY_MONITORING_EVENTS; e++) {
        PyObject *bit = PyLong_FromLong(e < _PY_MONITORING_EVENTS ? 1 << e : 0);
        int status = bit ? PyObject_SetAttrString(events, e < _PY_MONITORING_EVENTS ? monitoring_event_names[e] : "NO_EVENTS", bit) : -1;
        Py_XDECREF(bit);
        if (status < 0) goto fail;
    }
    if (PyModule_AddIntConstant(module, "DEBUGGER_ID", TOOL_DEBUGGER) < 0 || PyModule_AddIntConstant(module, "COVERAGE_ID", TOOL_COVERAGE) < 0 ||
        PyModule_AddIntConstant(module, "PROFILER_ID", TOOL_PROFILER) < 0 || PyModule_AddIntConstant(module, "OPTIMIZER_ID", TOOL_OPTIMIZER) < 0)
        goto fail;
    Py_DECREF(events);
    return module;
fail:
    Py_XDECREF(types);
    Py_XDECREF(events);
    Py_DECREF(module);
    return NULL;
}

/* ---- <cpython/monitoring.h> ----------------------------------------------------------------------------------------------------------- */

int PyMonitoring_EnterScope(PyMonitoringState *states, uint64_t *version, const uint8_t *events, Py_ssize_t n)
{
    EvalState *s = &interp_get()->eval;
    if (s->monitoring_version == *version) return 0;
    for (Py_ssize_t i = 0; i < n; i++) {
        int event = events[i];
        states[i].active = s->monitors.tools[event >= _PY_MONITORING_UNGROUPED_EVENTS ? EVENT_CALL : event];
    }
    *version = s->monitoring_version;
    return 0;
}

int PyMonitoring_ExitScope(void) { return 0; }

static int fire(PyMonitoringState *state, PyObject *codelike, int32_t offset, PyObject **args, Py_ssize_t nargs, int event)
{
    PyThreadState *ts = PyThreadState_GET();
    if (ts->tracing) return 0;
    PyObject *at = NULL;
    if (event != EVENT_LINE) {
        if (offset < 0) {
            PyErr_SetString(PyExc_ValueError, "offset must be non-negative");
            return -1;
        }
        if (!(at = PyLong_FromLong(offset))) return -1;
        args[2] = at;
    }
    args[1] = codelike;
    int status = 0;
    unsigned tools = state->active;
    while (tools && status == 0) {
        int tool = 31 - __builtin_clz(tools);
        tools ^= 1u << tool;
        int disable = monitoring_call_tool(ts, NULL, args + 1, (size_t)nargs | PY_VECTORCALL_ARGUMENTS_OFFSET, tool, event);
        if (disable < 0) status = -1;
        else if (disable && !PY_MONITORING_IS_INSTRUMENTED_EVENT(event)) status = monitoring_cannot_disable(ts, tool, event);
        else if (disable) state->active &= (uint8_t)~(1 << tool);
    }
    Py_XDECREF(at);
    return status;
}

static int fire_exception(PyMonitoringState *state, PyObject *codelike, int32_t offset, int event)
{
    PyObject *exc = PyErr_GetRaisedException(), *args[4] = {NULL, NULL, NULL, exc};
    if (!exc) {
        PyErr_Format(PyExc_ValueError, "Firing event %d with no exception set", event);
        return -1;
    }
    int status = fire(state, codelike, offset, args, 3, event);
    if (status == 0) PyErr_SetRaisedException(exc);
    else Py_DECREF(exc);
    return status;
}

#define FIRE_0(name, event)                                                                                             \
    int _PyMonitoring_Fire##name##Event(PyMonitoringState *s, PyObject *c, int32_t o)                                   \
    {                                                                                                                   \
        PyObject *args[3] = {NULL};                                                                                     \
        return fire(s, c, o, args, 2, event);                                                                           \
    }
#define FIRE_1(name, event)                                                                                             \
    int _PyMonitoring_Fire##name##Event(PyMonitoringState *s, PyObject *c, int32_t o, PyObject *v)                      \
    {                                                                                                                   \
        PyObject *args[4] = {NULL, NULL, NULL, v};                                                                      \
        return fire(s, c, o, args, 3, event);                                                                           \
    }
#define FIRE_EXC(name, event)                                                                                           \
    int _PyMonitoring_Fire##name##Event(PyMonitoringState *s, PyObject *c, int32_t o) { return fire_exception(s, c, o, event); }

FIRE_0(PyStart, EVENT_PY_START)
FIRE_0(PyResume, EVENT_PY_RESUME)
FIRE_1(PyReturn, EVENT_PY_RETURN)
FIRE_1(PyYield, EVENT_PY_YIELD)
FIRE_1(Jump, EVENT_JUMP)
FIRE_1(Branch, EVENT_BRANCH)
FIRE_1(CReturn, EVENT_C_RETURN)
FIRE_EXC(PyThrow, EVENT_PY_THROW)
FIRE_EXC(Raise, EVENT_RAISE)
FIRE_EXC(Reraise, EVENT_RERAISE)
FIRE_EXC(ExceptionHandled, EVENT_EXCEPTION_HANDLED)
FIRE_EXC(CRaise, EVENT_C_RAISE)
FIRE_EXC(PyUnwind, EVENT_PY_UNWIND)

int _PyMonitoring_FireCallEvent(PyMonitoringState *s, PyObject *c, int32_t o, PyObject *callable, PyObject *arg0)
{
    PyObject *args[5] = {NULL, NULL, NULL, callable, arg0};
    return fire(s, c, o, args, 4, EVENT_CALL);
}

int _PyMonitoring_FireLineEvent(PyMonitoringState *s, PyObject *c, int32_t o, int line)
{
    PyObject *number = PyLong_FromLong(line);
    if (!number) return -1;
    PyObject *args[3] = {NULL, NULL, number};
    int status = fire(s, c, o, args, 2, EVENT_LINE);
    Py_DECREF(number);
    return status;
}

int _PyMonitoring_FireStopIterationEvent(PyMonitoringState *s, PyObject *c, int32_t o, PyObject *value)
{
    PyErr_SetObject(PyExc_StopIteration, value);
    int status = fire_exception(s, c, o, EVENT_STOP_ITERATION);
    if (status == 0) PyErr_Clear();
    return status;
}
