/* What eval/ offers the rest of Taipan: frames, running code, and its part of the Interpreter's state. */
#ifndef TAIPAN_EVAL_EVAL_H
#define TAIPAN_EVAL_EVAL_H

#include "taipan.h"
#include <frameobject.h>

/* One 16-bit unit of bytecode: an instruction, or a word of its inline cache. */
typedef union CodeUnit {
    uint16_t cache;
    struct { uint8_t code, arg; } op;
} CodeUnit;

#define CODE_UNITS(code) ((CodeUnit *)((PyCodeObject *)(code))->co_code_adaptive)

/* Begins with the words of CPython 3.13's _PyInterpreterFrame: debuggers, py-spy and greenlet know them.
 * Links are pointers; nothing computes a frame's address from its neighbour's. */
typedef struct _PyInterpreterFrame Frame;
struct _PyInterpreterFrame {
    PyObject *f_executable;          /* owned: the code object (None for the shim below a C entry) */
    Frame *previous;
    PyObject *f_funcobj;             /* owned: the function */
    PyObject *f_globals;             /* borrowed from the function */
    PyObject *f_builtins;            /* borrowed from the function */
    PyObject *f_locals;              /* owned, NULL in functions: the namespace of a class or module body */
    PyFrameObject *frame_obj;        /* owned, NULL until someone asked for it */
    CodeUnit *instr_ptr;             /* the instruction that runs, or that runs next while another frame is active */
    int stacktop;                    /* number of live slots of localsplus, when not executing */
    uint16_t return_offset;          /* code units from instr_ptr to where a callee returns to */
    char owner;
    PyObject *localsplus[1];         /* locals, cells, free variables, then the operand stack */
};

enum { FRAME_OWNED_BY_THREAD = 0, FRAME_OWNED_BY_GENERATOR = 1, FRAME_OWNED_BY_FRAME_OBJECT = 2, FRAME_OWNED_BY_CSTACK = 3 };

/* PyThreadState.eval_breaker: reasons to leave the fast path of the loop at the next check. The upper bits hold the
 * version of global instrumentation. */
enum {
    EVAL_GIL_DROP_REQUEST = 1 << 0,
    EVAL_SIGNALS_PENDING = 1 << 1,
    EVAL_CALLS_TO_DO = 1 << 2,
    EVAL_ASYNC_EXCEPTION = 1 << 3,
    EVAL_GC_SCHEDULED = 1 << 4,
    EVAL_EVENTS_MASK = 0xff,
};

enum { CODE_WATCHERS_MAX = 8, CODE_EXTRA_MAX = 255, MONITORING_TOOLS = 8, MONITORING_EVENTS = 17 };

typedef struct EvalState {
    _Py_GlobalMonitors monitors;                     /* tools per global event */
    PyObject *monitoring_callables[MONITORING_TOOLS][MONITORING_EVENTS];
    PyObject *monitoring_tool_names[MONITORING_TOOLS];
    PyObject *monitoring_missing, *monitoring_disable;
    uintptr_t monitoring_version;                    /* counts in steps of EVAL_EVENTS_MASK + 1 */
    uintptr_t last_restart_version;
    Py_ssize_t sys_profiling_threads, sys_tracing_threads;
    bool sys_profile_initialized, sys_trace_initialized;
    uint8_t code_watchers_active;
    PyCode_WatchCallback code_watchers[CODE_WATCHERS_MAX];
    uint8_t context_watchers_active;
    Py_ssize_t code_extra_count;
    freefunc code_extra_free[CODE_EXTRA_MAX];
    uint32_t next_code_version;
    PyObject *init_cleanup;                          /* code below an inlined __init__; NULL until first needed */
    PyObject *import_function;                       /* builtins.__import__ as it was at first */
    PyObject *builtin_len, *builtin_isinstance;
    PyObject *list_append;                           /* the method descriptor */
} EvalState;

/* EVAL_*: sets or clears a reason to stop, from any thread. */
static inline void eval_breaker_set(PyThreadState *ts, uintptr_t bit) { __atomic_or_fetch(&ts->eval_breaker, bit, __ATOMIC_RELAXED); }
static inline void eval_breaker_clear(PyThreadState *ts, uintptr_t bit) { __atomic_and_fetch(&ts->eval_breaker, ~bit, __ATOMIC_RELAXED); }

/* Runs what the eval_breaker asks for (signals, pending calls, collection, GIL hand-over). 0, or -1 with an exception. */
int eval_handle_pending(PyThreadState *ts);

/* ---- frames ---- */

static inline PyCodeObject *frame_code(const Frame *f)
{
    assert(PyCode_Check(f->f_executable));
    return (PyCodeObject *)f->f_executable;
}

/* Index of the current instruction in code units. */
static inline int frame_lasti_units(const Frame *f) { return (int)(f->instr_ptr - CODE_UNITS(f->f_executable)); }

/* True for shims, and before the first traceable instruction (cells being made, arguments being moved). */
static inline bool frame_is_incomplete(const Frame *f)
{
    if (f->owner == FRAME_OWNED_BY_CSTACK) return true;
    return f->owner != FRAME_OWNED_BY_GENERATOR && f->instr_ptr < CODE_UNITS(f->f_executable) + frame_code(f)->_co_firsttraceable;
}

static inline Frame *frame_first_complete(Frame *f)
{
    while (f && frame_is_incomplete(f)) f = f->previous;
    return f;
}

/* The innermost complete frame, or NULL. */
static inline Frame *frame_current(PyThreadState *ts) { return frame_first_complete(ts->current_frame); }

/* BORROWED: the frame's object, made if need be; NULL with MemoryError. */
PyFrameObject *frame_object(Frame *f);
/* f_trace: NEW, or NULL without exception; NULL clears it, 0 / -1. */
PyObject *frame_object_trace(PyFrameObject *frame);
int frame_object_set_trace(PyFrameObject *frame, PyObject *function);
/* Line of the instruction that runs, -1 when it has none. */
int frame_line(Frame *f);
/* A thread ends: its trace and profile functions are dropped and no longer counted. */
void trace_forget_thread(PyThreadState *ts);
/* Gives back the chunks of a thread's frame stack. */
void frame_stack_free(PyThreadState *ts);

/* ---- running code ---- */

/* The vectorcall of every Python function (PyFunctionObject.vectorcall). */
PyObject *function_vectorcall(PyObject *function, PyObject *const *args, size_t nargsf, PyObject *kwnames);
/* Runs func's code with a namespace for locals (or NULL) and no cells but func's. Module and class bodies. */
PyObject *eval_function_in(PyThreadState *ts, PyObject *func, PyObject *locals, PyObject *const *args, Py_ssize_t nargs,
                           PyObject *kwnames);
/* BORROWED builtins that code running with these globals sees; NULL with an exception. */
PyObject *eval_builtins_of(PyThreadState *ts, PyObject *globals);
/* The `builtins` module's __import__ machinery as IMPORT_NAME runs it. NEW. */
PyObject *eval_import_name(PyThreadState *ts, PyObject *builtins, PyObject *globals, PyObject *locals, PyObject *name,
                           PyObject *fromlist, PyObject *level);
/* The interpreter's monitoring state; before sys is made / at its end. */
int eval_init(PyThreadState *ts);
void eval_fini(PyInterpreterState *interp);
void eval_fini_last(PyInterpreterState *interp);     /* what running code needs: none runs any more */
/* sys.monitoring: a new module object, for sys. */
PyObject *monitoring_module_new(void);
/* The builtins module: NEW. */
PyObject *builtins_module_new(void);

#endif
