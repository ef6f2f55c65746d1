/* The _lsprof module: Profiler, the collector behind cProfile, a tool of sys.monitoring.
 *
 * Records are keyed by address: a code object, or the PyMethodDef of a built-in. A record lives until clear(), and clear() is refused
 * while anything of this file holds a pointer to one across Python code (busy): the timer's call, and the listing of getstats(). */
#include "capi/args.h"

#include <math.h>
#include <time.h>

enum { TOOL_ID = 2 };                         /* sys.monitoring.PROFILER_ID */
enum { BUSY_NOT, BUSY_TIMER, BUSY_LISTING };

typedef struct LsprofState { PyTypeObject *profiler, *entry, *subentry; } LsprofState;

typedef struct Record {
    void *key;
    struct Record *next;                      /* in order of creation */
    int64_t total, own;                       /* ticks; own leaves the callees out */
    long calls, recursive_calls, depth;       /* depth: activations at the moment */
} Record;

typedef struct Table {                        /* open addressing by key */
    Record **slots;
    size_t size, used;                        /* size: 0 or a power of two */
    Record *first, *last;
} Table;

typedef struct Entry {
    Record record;                            /* first: an entry is a record of the profiler's table */
    PyObject *code;                           /* code object or description */
    Table callees;                            /* keyed by Entry * */
} Entry;

typedef struct Activation {
    struct Activation *caller;
    Entry *entry;
    int64_t start, in_callees;
} Activation;

typedef struct Profiler {
    PyObject_HEAD
    Table entries;
    Activation *current;
    PyObject *timer, *missing;                /* missing: sys.monitoring.MISSING */
    double unit;
    bool enabled, subcalls, builtins, out_of_memory;
    int busy;
} Profiler;

#define PROFILER(o) ((Profiler *)(o))

static struct PyModuleDef lsprof_definition;

/* ---- records ----------------------------------------------------------------------------------------------------------------- */

static size_t key_hash(const void *key) { return (size_t)(((uintptr_t)key >> 4) * UINT64_C(0x9E3779B97F4A7C15) >> 20); }

static Record *table_find(const Table *t, const void *key)
{
    if (!t->size) return NULL;
    for (size_t i = key_hash(key) & (t->size - 1); t->slots[i]; i = (i + 1) & (t->size - 1))
        if (t->slots[i]->key == key) return t->slots[i];
    return NULL;
}

static void table_place(Table *t, Record *r)
{
    size_t i = key_hash(r->key) & (t->size - 1);
    while (t->slots[i]) i = (i + 1) & (t->size - 1);
    t->slots[i] = r;
}

static bool table_grow(Table *t)
{
    size_t size = t->size ? t->size * 2 : 8;
    Record **slots = PyMem_Calloc(size, sizeof(Record *));
    if (!slots) return false;
    PyMem_Free(t->slots);
    t->slots = slots;
    t->size = size;
    for (Record *r = t->first; r; r = r->next) table_place(t, r);
    return true;
}

static Record *table_add(Table *t, void *key, size_t bytes)
{
    if (t->used * 2 >= t->size && !table_grow(t)) return NULL;
    Record *r = PyMem_Calloc(1, bytes);
    if (!r) return NULL;
    r->key = key;
    if (t->last) t->last->next = r;
    else t->first = r;
    t->last = r;
    t->used++;
    table_place(t, r);
    return r;
}

/* Takes the contents of a table that nobody refers to any more. */
static void table_free(Table t, bool entries)
{
    for (Record *r = t.first, *next; r; r = next) {
        next = r->next;
        if (entries) {
            table_free(((Entry *)r)->callees, false);
            Py_DECREF(((Entry *)r)->code);
        }
        PyMem_Free(r);
    }
    PyMem_Free(t.slots);
}

static void record_stop(Record *r, int64_t total, int64_t own)
{
    if (--r->depth == 0) r->total += total;
    else r->recursive_calls++;
    r->own += own;
    r->calls++;
}

static void profiler_drop_records(Profiler *p)
{
    Table old = p->entries;
    Activation *a = p->current;
    p->entries = (Table){ 0 };
    p->current = NULL;
    for (Activation *caller; a; a = caller) {
        caller = a->caller;
        PyMem_Free(a);
    }
    table_free(old, true);
}

/* ---- time -------------------------------------------------------------------------------------------------------------------- */

static int64_t ticks_from_object(Profiler *p, PyObject *o)
{
    if (p->unit > 0.0) return PyLong_AsLongLong(o);
    double seconds = PyFloat_AsDouble(o);
    if (seconds == -1.0 && PyErr_Occurred()) return -1;
    double ns = floor(seconds * 1e9);
    if (!(ns >= -0x1p63 && ns < 0x1p63)) {
        PyErr_SetString(PyExc_OverflowError, "timestamp out of range for platform time_t");
        return -1;
    }
    return (int64_t)ns;
}

static int64_t profiler_now(Profiler *p)
{
    if (!p->timer) {
        struct timespec ts;
        clock_gettime(CLOCK_MONOTONIC, &ts);
        return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
    }
    int busy = p->busy;
    p->busy = BUSY_TIMER;
    PyObject *pending = PyErr_GetRaisedException(), *timer = Py_NewRef(p->timer), *o = PyObject_CallNoArgs(timer);
    p->busy = busy;
    int64_t ticks = o ? ticks_from_object(p, o) : 0;
    if (PyErr_Occurred()) {
        PyErr_WriteUnraisable(timer);
        ticks = 0;
    }
    Py_XDECREF(o);
    Py_DECREF(timer);
    PyErr_SetRaisedException(pending);
    return ticks;
}

/* ---- activations ------------------------------------------------------------------------------------------------------------- */

static PyObject *builtin_describe(PyObject *function)
{
    const char *name = ((PyCFunctionObject *)function)->m_ml->ml_name;
    PyObject *self = PyCFunction_GET_SELF(function), *module = ((PyCFunctionObject *)function)->m_module, *text = NULL;
    if (!self || PyModule_Check(self)) {
        PyObject *module_name = NULL;
        if (module && PyUnicode_Check(module)) module_name = Py_NewRef(module);
        else if (module && PyModule_Check(module) && !(module_name = PyModule_GetNameObject(module))) PyErr_Clear();
        if (!module_name) return PyUnicode_FromFormat("<built-in method %s>", name);
        text = PyUnicode_FromFormat("<built-in method %U.%s>", module_name, name);
        Py_DECREF(module_name);
        return text;
    }
    PyObject *key = PyUnicode_FromString(name), *found = key ? _PyType_Lookup(Py_TYPE(self), key) : NULL;
    Py_XDECREF(key);
    if (found) {
        Py_INCREF(found);
        text = PyObject_Repr(found);
        Py_DECREF(found);
    }
    if (text) return text;
    PyErr_Clear();
    return PyUnicode_FromFormat("<built-in method %s>", name);
}

static Entry *profiler_entry_for(Profiler *p, void *key, PyObject *callable)
{
    Record *r = table_find(&p->entries, key);
    if (r) return (Entry *)r;
    PyObject *pending = PyErr_GetRaisedException();
    PyObject *code = PyCFunction_Check(callable) ? builtin_describe(callable) : Py_NewRef(callable);
    if (!code) PyErr_Clear();
    PyErr_SetRaisedException(pending);
    if (code && (r = table_find(&p->entries, key))) {   /* a repr() came here first */
        Py_DECREF(code);
        return (Entry *)r;
    }
    r = code ? table_add(&p->entries, key, sizeof(Entry)) : NULL;
    if (!r) {
        Py_XDECREF(code);
        p->out_of_memory = true;
        return NULL;
    }
    ((Entry *)r)->code = code;
    return (Entry *)r;
}

static void profiler_enter(Profiler *p, void *key, PyObject *callable)
{
    if (p->busy == BUSY_TIMER) return;        /* called by hand from the timer */
    Entry *entry = profiler_entry_for(p, key, callable);
    Activation *a = entry ? PyMem_Calloc(1, sizeof(Activation)) : NULL;
    if (!a) {
        p->out_of_memory = true;
        return;
    }
    a->entry = entry;
    a->caller = p->current;
    p->current = a;
    entry->record.depth++;
    if (p->subcalls && a->caller) {
        Table *callees = &a->caller->entry->callees;
        Record *sub = table_find(callees, entry);
        if (!sub) sub = table_add(callees, entry, sizeof(Record));
        if (sub) sub->depth++;
        else p->out_of_memory = true;
    }
    a->start = profiler_now(p);
}

/* Ends the innermost activation on account of entry, which is another one when an event was missed. */
static void profiler_stop(Profiler *p, Entry *entry)
{
    int64_t total = 0, own;
    if (entry) total = profiler_now(p);
    Activation *a = p->current;
    if (!a) return;
    p->current = a->caller;
    if (entry) {
        total = (int64_t)((uint64_t)total - (uint64_t)a->start);
        own = (int64_t)((uint64_t)total - (uint64_t)a->in_callees);
        if (a->caller) a->caller->in_callees += total;
        record_stop(&entry->record, total, own);
        Record *sub = p->subcalls && a->caller ? table_find(&a->caller->entry->callees, entry) : NULL;
        if (sub) record_stop(sub, total, own);
    }
    PyMem_Free(a);
}

static void profiler_leave(Profiler *p, void *key)
{
    if (p->current && p->busy != BUSY_TIMER) profiler_stop(p, (Entry *)table_find(&p->entries, key));
}

/* ---- events ------------------------------------------------------------------------------------------------------------------ */

static int check_count(const char *name, Py_ssize_t nargs, Py_ssize_t expected)
{
    if (nargs >= expected) return 0;
    PyErr_Format(PyExc_TypeError, "%s expected %zd arguments, got %zd", name, expected, nargs);
    return -1;
}

BUILTIN_FAST(Profiler, _pystart_callback, "($self, code, instruction_offset, /)", "")
{
    if (check_count("_pystart_callback", nargs, 2) < 0) return NULL;
    profiler_enter(PROFILER(self), args[0], args[0]);
    Py_RETURN_NONE;
}

BUILTIN_FAST(Profiler, _pyreturn_callback, "($self, code, instruction_offset, retval, /)", "")
{
    if (check_count("_pyreturn_callback", nargs, 3) < 0) return NULL;
    profiler_leave(PROFILER(self), args[0]);
    Py_RETURN_NONE;
}

/* The C function that a call event is about; NULL for other callables. */
static PyObject *builtin_called(Profiler *p, PyObject *callable, PyObject *first)
{
    if (PyCFunction_Check(callable)) return Py_NewRef(callable);
    if (!Py_IS_TYPE(callable, &PyMethodDescr_Type) || first == p->missing) return NULL;
    PyObject *bound = PyMethodDescr_Type.tp_descr_get(callable, first, (PyObject *)Py_TYPE(first));
    if (!bound) PyErr_Clear();                /* the call itself fails too, with this message */
    if (bound && PyCFunction_Check(bound)) return bound;
    Py_XDECREF(bound);
    return NULL;
}

BUILTIN_FAST(Profiler, _ccall_callback, "($self, code, instruction_offset, callable, self_arg, /)", "")
{
    if (check_count("_ccall_callback", nargs, 4) < 0) return NULL;
    PyObject *function = PROFILER(self)->builtins ? builtin_called(PROFILER(self), args[2], args[3]) : NULL;
    if (function) {
        profiler_enter(PROFILER(self), ((PyCFunctionObject *)function)->m_ml, function);
        Py_DECREF(function);
    }
    Py_RETURN_NONE;
}

BUILTIN_FAST(Profiler, _creturn_callback, "($self, code, instruction_offset, callable, self_arg, /)", "")
{
    if (check_count("_creturn_callback", nargs, 4) < 0) return NULL;
    PyObject *function = PROFILER(self)->builtins ? builtin_called(PROFILER(self), args[2], args[3]) : NULL;
    if (function) {
        profiler_leave(PROFILER(self), ((PyCFunctionObject *)function)->m_ml);
        Py_DECREF(function);
    }
    Py_RETURN_NONE;
}

static const struct { int event; const char *method; } callbacks[] = {
    { PY_MONITORING_EVENT_PY_START, "_pystart_callback" },   { PY_MONITORING_EVENT_PY_RESUME, "_pystart_callback" },
    { PY_MONITORING_EVENT_PY_THROW, "_pystart_callback" },   { PY_MONITORING_EVENT_PY_RETURN, "_pyreturn_callback" },
    { PY_MONITORING_EVENT_PY_YIELD, "_pyreturn_callback" },  { PY_MONITORING_EVENT_PY_UNWIND, "_pyreturn_callback" },
    { PY_MONITORING_EVENT_CALL, "_ccall_callback" },         { PY_MONITORING_EVENT_C_RETURN, "_creturn_callback" },
    { PY_MONITORING_EVENT_C_RAISE, "_creturn_callback" },
};

static PyObject *monitoring_module(void)
{
    PyObject *m = PySys_GetObject("monitoring");
    if (!m) PyErr_SetString(PyExc_RuntimeError, "lost sys.monitoring");
    return Py_XNewRef(m);
}

static int discard(PyObject *result)
{
    Py_XDECREF(result);
    return result ? 0 : -1;
}

/* Registers the methods of self, or None. */
static int monitoring_connect(PyObject *monitoring, PyObject *self)
{
    int events = 0;
    for (size_t i = 0; i < Py_ARRAY_LENGTH(callbacks); i++) {
        PyObject *method = self ? PyObject_GetAttrString(self, callbacks[i].method) : Py_NewRef(Py_None);
        if (!method) return -1;
        int err = discard(PyObject_CallMethod(monitoring, "register_callback", "iiO", TOOL_ID, 1 << callbacks[i].event, method));
        Py_DECREF(method);
        if (err) return -1;
        events |= 1 << callbacks[i].event;
    }
    return discard(PyObject_CallMethod(monitoring, "set_events", "ii", TOOL_ID, self ? events : 0));
}

/* ---- methods ----------------------------------------------------------------------------------------------------------------- */

static int flag_set(bool *flag, PyObject *value)
{
    int truth = value ? PyObject_IsTrue(value) : 1;
    if (truth < 0) return -1;
    *flag = truth != 0;
    return 0;
}

static const char enable_doc[] = "enable(subcalls=True, builtins=True)\n\nCollect from now on. With subcalls, the callees of each function are"
    " counted apart for each\nof its callers; with builtins, built-in functions get entries of their own.";
SIGNATURE(enable_signature, "enable", KEYWORDS, "($self, /, subcalls=True, builtins=True)");

static PyObject *Profiler_enable(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    Profiler *p = PROFILER(self);
    PyObject *arg[ARGS_MAX], *monitoring = NULL;
    bool subcalls, builtins;
    if (args_bind(&enable_signature, args, nargs, kwnames, arg) < 0) return NULL;
    if (flag_set(&subcalls, arg[0]) < 0 || flag_set(&builtins, arg[1]) < 0 || !(monitoring = monitoring_module())) return NULL;
    p->subcalls = subcalls;
    p->builtins = builtins;
    if (discard(PyObject_CallMethod(monitoring, "use_tool_id", "is", TOOL_ID, "cProfile")) < 0) {
        PyErr_SetString(PyExc_ValueError, "Another profiling tool is already active");
        Py_DECREF(monitoring);
        return NULL;
    }
    p->enabled = true;
    int err = monitoring_connect(monitoring, self);
    Py_DECREF(monitoring);
    if (err < 0) return NULL;
    Py_RETURN_NONE;
}

static int refuse_busy(Profiler *p, const char *what)
{
    if (!p->busy) return 0;
    PyErr_Format(PyExc_RuntimeError, p->busy == BUSY_TIMER ? "cannot %s profiler in external timer" : "cannot %s profiler during getstats()", what);
    return -1;
}

BUILTIN_NOARGS(Profiler, disable, "($self, /)", "disable()\n\nStop collecting.")
{
    Profiler *p = PROFILER(self);
    if (refuse_busy(p, "disable") < 0) return NULL;
    if (p->enabled) {
        PyObject *monitoring = monitoring_module();
        int err = !monitoring || monitoring_connect(monitoring, NULL) < 0 ||
                  discard(PyObject_CallMethod(monitoring, "free_tool_id", "i", TOOL_ID)) < 0;
        Py_XDECREF(monitoring);
        if (err) return NULL;
        p->enabled = false;
        while (p->current) profiler_stop(p, p->current->entry);   /* what returns only after this call, the call itself included */
    }
    if (p->out_of_memory) {
        p->out_of_memory = false;
        return PyErr_NoMemory();
    }
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(Profiler, clear, "($self, /)", "clear()\n\nForget what was collected so far.")
{
    if (refuse_busy(PROFILER(self), "clear") < 0) return NULL;
    profiler_drop_records(PROFILER(self));
    Py_RETURN_NONE;
}

static PyObject *record_object(const Record *r, PyTypeObject *type, PyObject *code, double unit)
{
    PyObject *o = PyStructSequence_New(type), *item[5];
    if (!o) return NULL;
    item[0] = Py_NewRef(code);
    item[1] = PyLong_FromLong(r->calls);
    item[2] = PyLong_FromLong(r->recursive_calls);
    item[3] = PyFloat_FromDouble(unit * (double)r->total);
    item[4] = PyFloat_FromDouble(unit * (double)r->own);
    bool complete = true;
    for (int i = 0; i < 5; i++) {
        complete = complete && item[i];
        PyStructSequence_SetItem(o, i, item[i]);
    }
    if (complete) return o;
    Py_DECREF(o);
    return NULL;
}

static int append_steal(PyObject *list, PyObject *item)
{
    int err = item ? PyList_Append(list, item) : -1;
    Py_XDECREF(item);
    return err;
}

static PyObject *entry_callees(const Entry *entry, PyTypeObject *type, double unit)
{
    if (!entry->callees.first) return Py_NewRef(Py_None);
    PyObject *list = PyList_New(0);
    for (Record *r = entry->callees.first; list && r; r = r->next)
        if (r->calls && append_steal(list, record_object(r, type, ((Entry *)r->key)->code, unit)) < 0) Py_CLEAR(list);
    return list;
}

static PyObject *entry_object(const Entry *entry, const LsprofState *state, double unit)
{
    PyObject *callees = entry_callees(entry, state->subentry, unit);
    PyObject *o = callees ? record_object(&entry->record, state->entry, entry->code, unit) : NULL;
    if (o) PyStructSequence_SetItem(o, 5, callees);
    else Py_XDECREF(callees);
    return o;
}

BUILTIN_NOARGS(Profiler, getstats, "($self, /)",
    "list of profiler_entry objects.\n\ngetstats() -> list of profiler_entry objects\n\nEach has the attributes code, callcount, reccallcount,"
    " totaltime, inlinetime and calls;\ncalls is None or a list of profiler_subentry objects, which have all of these but calls.")
{
    Profiler *p = PROFILER(self);
    PyObject *module = PyType_GetModuleByDef(Py_TYPE(self), &lsprof_definition), *list = module ? PyList_New(0) : NULL;
    if (!list) return NULL;
    double unit = p->timer && p->unit != 0.0 ? p->unit : 1e-9;
    int busy = p->busy;
    p->busy = busy ? busy : BUSY_LISTING;
    for (Record *r = p->entries.first; list && r; r = r->next)
        if (r->calls && append_steal(list, entry_object((Entry *)r, PyModule_GetState(module), unit)) < 0) Py_CLEAR(list);
    p->busy = busy;
    return list;
}

/* ---- the type ---------------------------------------------------------------------------------------------------------------- */

SIGNATURE(profiler_signature, "Profiler", KEYWORDS, "(timer=None, timeunit=0.0, subcalls=True, builtins=True)");

static int profiler_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    Profiler *p = PROFILER(self);
    PyObject *arg[ARGS_MAX], *monitoring;
    bool subcalls, builtins;
    if (args_bind_tuple(&profiler_signature, args, kwargs, arg) < 0) return -1;
    double unit = arg[1] ? PyFloat_AsDouble(arg[1]) : 0.0;
    if (unit == -1.0 && PyErr_Occurred()) return -1;
    if (flag_set(&subcalls, arg[2]) < 0 || flag_set(&builtins, arg[3]) < 0 || !(monitoring = monitoring_module())) return -1;
    PyObject *missing = PyObject_GetAttrString(monitoring, "MISSING");
    Py_DECREF(monitoring);
    if (!missing) return -1;
    p->unit = unit;
    p->subcalls = subcalls;
    p->builtins = builtins;
    Py_XSETREF(p->missing, missing);
    Py_XSETREF(p->timer, arg[0] && arg[0] != Py_None ? Py_NewRef(arg[0]) : NULL);
    return 0;
}

static int profiler_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(PROFILER(self)->timer);
    Py_VISIT(PROFILER(self)->missing);
    return 0;
}

static int profiler_clear(PyObject *self)
{
    Py_CLEAR(PROFILER(self)->timer);
    return 0;
}

static void profiler_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    profiler_drop_records(PROFILER(self));
    Py_CLEAR(PROFILER(self)->timer);
    Py_CLEAR(PROFILER(self)->missing);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMethodDef profiler_methods[] = {
    METHOD_BARE(Profiler, getstats),
    { "enable", (PyCFunction)(void (*)(void))Profiler_enable, METH_FASTCALL | METH_KEYWORDS, enable_doc },
    METHOD(Profiler, disable), METHOD(Profiler, clear), METHOD(Profiler, _pystart_callback), METHOD(Profiler, _pyreturn_callback),
    METHOD(Profiler, _ccall_callback), METHOD(Profiler, _creturn_callback), { 0 }
};
static PyType_Slot profiler_slots[] = {
    { Py_tp_doc, "Profiler(timer=None, timeunit=None, subcalls=True, builtins=True)\n\nCollects how often functions are called and how long"
                 " they take, by the real time or by what\ntimer() returns: seconds, or integers that timeunit converts to seconds." },
    { Py_tp_init, profiler_init }, { Py_tp_new, PyType_GenericNew }, { Py_tp_dealloc, profiler_dealloc },
    { Py_tp_traverse, profiler_traverse }, { Py_tp_clear, profiler_clear }, { Py_tp_methods, profiler_methods }, { 0, NULL }
};
static PyType_Spec profiler_spec = {
    "_lsprof.Profiler", sizeof(Profiler), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    profiler_slots
};

#define COMMON_FIELDS                                                  \
    { "code", "code object or built-in function name" },               \
    { "callcount", "how many times this was called" },                 \
    { "reccallcount", "how many times called recursively" },           \
    { "totaltime", "total time in this entry" },                       \
    { "inlinetime", "inline time in this entry (not in subcalls)" }
static PyStructSequence_Field entry_fields[] = { COMMON_FIELDS, { "calls", "details of the calls" }, { 0 } };
static PyStructSequence_Field subentry_fields[] = { COMMON_FIELDS, { 0 } };
static PyStructSequence_Desc entry_description = { "_lsprof.profiler_entry", NULL, entry_fields, 6 };
static PyStructSequence_Desc subentry_description = { "_lsprof.profiler_subentry", NULL, subentry_fields, 5 };

/* ---- the module -------------------------------------------------------------------------------------------------------------- */

static int lsprof_exec(PyObject *module)
{
    LsprofState *state = PyModule_GetState(module);
    if (!(state->profiler = (PyTypeObject *)PyType_FromModuleAndSpec(module, &profiler_spec, NULL)) ||
        !(state->entry = PyStructSequence_NewType(&entry_description)) ||
        !(state->subentry = PyStructSequence_NewType(&subentry_description))) return -1;
    return PyModule_AddType(module, state->profiler) < 0 || PyModule_AddType(module, state->entry) < 0 ||
           PyModule_AddType(module, state->subentry) < 0 ? -1 : 0;
}

static int lsprof_traverse(PyObject *module, visitproc visit, void *arg)
{
    LsprofState *state = PyModule_GetState(module);
    Py_VISIT(state->profiler);
    Py_VISIT(state->entry);
    Py_VISIT(state->subentry);
    return 0;
}

static int lsprof_clear(PyObject *module)
{
    LsprofState *state = PyModule_GetState(module);
    Py_CLEAR(state->profiler);
    Py_CLEAR(state->entry);
    Py_CLEAR(state->subentry);
    return 0;
}

static void lsprof_free(void *module) { lsprof_clear(module); }

static PyModuleDef_Slot lsprof_slots[] = {
    { Py_mod_exec, lsprof_exec }, { Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED }, { 0 }
};
static struct PyModuleDef lsprof_definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_lsprof",
    .m_doc = "Fast profiler",
    .m_size = sizeof(LsprofState),
    .m_slots = lsprof_slots,
    .m_traverse = lsprof_traverse,
    .m_clear = lsprof_clear,
    .m_free = lsprof_free,
};
PyMODINIT_FUNC PyInit__lsprof(void) { return PyModuleDef_Init(&lsprof_definition); }
