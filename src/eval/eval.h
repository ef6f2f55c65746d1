/* What eval/ offers the rest of Taipan: frames, running code, and its part of the Interpreter's state. */
#ifndef TAIPAN_EVAL_EVAL_H
#define TAIPAN_EVAL_EVAL_H

#include "taipan.h"

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

typedef struct EvalState { int unused; } EvalState;

/* EVAL_*: sets or clears a reason to stop, from any thread. */
static inline void eval_breaker_set(PyThreadState *ts, uintptr_t bit) { __atomic_or_fetch(&ts->eval_breaker, bit, __ATOMIC_RELAXED); }
static inline void eval_breaker_clear(PyThreadState *ts, uintptr_t bit) { __atomic_and_fetch(&ts->eval_breaker, ~bit, __ATOMIC_RELAXED); }

/* Runs what the eval_breaker asks for (signals, pending calls, collection, GIL hand-over). 0, or -1 with an exception. */
int eval_handle_pending(PyThreadState *ts);

#endif
