/* What the files of eval/ and the frame and generator objects share. */
#ifndef TAIPAN_EVAL_PRIVATE_H
#define TAIPAN_EVAL_PRIVATE_H

#include "memory/alloc.h"
#include "eval/opcodes.h"
#include "objects/code.h"
#include "objects/frame_private.h"

/* ---- frame objects and generators ---------------------------------------------------------------------------------- */

struct _frame {
    PyObject_HEAD
    PyFrameObject *f_back;           /* owned; set when the frame has finished */
    Frame *f_frame;                  /* where the frame lives: on the thread's stack, in a generator, or below */
    PyObject *f_trace;
    int f_lineno;                    /* 0: not set by a trace function */
    char f_trace_lines, f_trace_opcodes;
    PyObject *f_extra_locals;        /* dict: names that a locals proxy stored and the code does not know */
    PyObject *f_locals_cache;        /* what PyEval_GetLocals returned, borrowed by its callers */
    PyObject *_f_frame_data[1];      /* the frame itself, once it has left its home */
};

/* SUSPENDED_JUMPED: at a yield, a trace function moved the frame elsewhere; what is sent next is dropped. */
enum { GEN_SUSPENDED_JUMPED = -4, GEN_CREATED = -3, GEN_SUSPENDED = -2, GEN_SUSPENDED_YIELD_FROM = -1, GEN_EXECUTING = 0, GEN_COMPLETED = 1, GEN_CLEARED = 4 };

static inline Frame *generator_frame(PyGenObject *gen) { return (Frame *)(void *)gen->gi_iframe; }
static inline PyGenObject *frame_generator(Frame *f)
{
    assert(f->owner == FRAME_OWNED_BY_GENERATOR);
    return (PyGenObject *)(void *)((char *)f - offsetof(PyGenObject, gi_iframe));
}
static inline bool gen_is_suspended(const PyGenObject *gen)
{
    return gen->gi_frame_state < GEN_EXECUTING && gen->gi_frame_state != GEN_CREATED;
}
/* May a loop push what is sent and go on in the frame? */
static inline bool gen_is_resumable(const PyGenObject *gen)
{
    return (unsigned)(gen->gi_frame_state - GEN_CREATED) < (unsigned)(GEN_EXECUTING - GEN_CREATED);
}

/* ---- frames (frame.c) ---------------------------------------------------------------------------------------------- */

enum { FRAME_HEAD_WORDS = (sizeof(Frame) - 1) / sizeof(PyObject *) };

PyObject **frame_stack_grow(PyThreadState *ts, size_t words);
void frame_stack_shrink(PyThreadState *ts);

/* Room for a frame of so many words; NULL with MemoryError. */
static ALWAYS_INLINE Frame *frame_stack_push(PyThreadState *ts, size_t words)
{
    PyObject **top = ts->datastack_top;
    if (LIKELY(words < (size_t)(ts->datastack_limit - top))) {
        ts->datastack_top = top + words;
        return (Frame *)(void *)top;
    }
    return (Frame *)(void *)frame_stack_grow(ts, words);
}

static ALWAYS_INLINE void frame_stack_pop(PyThreadState *ts, Frame *f)
{
    PyObject **base = (PyObject **)(void *)f;
    if (UNLIKELY(base == &ts->datastack_chunk->data[0])) frame_stack_shrink(ts);
    else ts->datastack_top = base;
}

/* func and locals stolen. Locals from `filled` on become NULL. */
static ALWAYS_INLINE void frame_init(Frame *f, PyFunctionObject *func, PyObject *locals, PyCodeObject *co, int filled)
{
    f->f_executable = Py_NewRef(co);
    f->previous = NULL;
    f->f_funcobj = (PyObject *)func;
    f->f_globals = func->func_globals;
    f->f_builtins = func->func_builtins;
    f->f_locals = locals;
    f->frame_obj = NULL;
    f->instr_ptr = CODE_UNITS(co);
    f->stacktop = co->co_nlocalsplus;
    f->return_offset = 0;
    f->owner = FRAME_OWNED_BY_THREAD;
    int n = co->co_nlocalsplus;
    SHORT_LOOP for (int i = filled; i < n; i++) f->localsplus[i] = NULL;
}

/* Releases what the frame holds, except its code object; hands it to its frame object when someone else has that. */
void frame_clear_except_code(Frame *f);
void frame_copy(const Frame *from, Frame *to);
int frame_traverse(Frame *f, visitproc visit, void *arg);

/* A frame of a Python function is over: clears it and gives its room back. */
void frame_leave_slow(PyThreadState *ts, Frame *f);

/* ---- calls (bind.c, run.c) ------------------------------------------------------------------------------------------ */

/* A frame with its arguments; func, locals and arguments STOLEN, also on failure. */
Frame *frame_push_call(PyThreadState *ts, PyFunctionObject *func, PyObject *locals, PyObject *const *args, Py_ssize_t nargs,
                       PyObject *kwnames);
/* The same from a tuple and a dict (or NULL); both stolen. */
Frame *frame_push_call_ex(PyThreadState *ts, PyFunctionObject *func, PyObject *locals, PyObject *args, PyObject *kwargs);

/* What a Python function runs in when it is no optimised code: its globals. */
static inline PyObject *function_locals(PyFunctionObject *func)
{
    return ((PyCodeObject *)func->func_code)->co_flags & CO_OPTIMIZED ? NULL : Py_NewRef(func->func_globals);
}

/* Runs a frame through whatever evaluates frames in this interpreter (PEP 523). */
static inline PyObject *eval_frame(PyThreadState *ts, Frame *f, int throw)
{
    _PyFrameEvalFunction hook = ts->interp->runtime.eval_frame;
    return UNLIKELY(hook != NULL) ? hook(ts, f, throw) : _PyEval_EvalFrameDefault(ts, f, throw);
}

/* ---- recursion (recursion.c) ---------------------------------------------------------------------------------------- */

COLD int recursion_check_python(PyThreadState *ts);
static ALWAYS_INLINE int recursion_enter_python(PyThreadState *ts)
{
    return UNLIKELY(ts->py_recursion_remaining-- <= 0) && recursion_check_python(ts);
}
enum { STACK_RESERVE = 96 * 1024, STACK_LAST_RESERVE = 32 * 1024 };
int recursion_enter_c_slow(PyThreadState *ts, const char *where);
static ALWAYS_INLINE int recursion_enter_c(PyThreadState *ts, const char *where)
{
    Thread *t = (Thread *)ts;
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);
    if (LIKELY(ts->c_recursion_remaining > 0 && here - t->stack_low - STACK_RESERVE < t->stack_high - t->stack_low - STACK_RESERVE)) {
        ts->c_recursion_remaining--;
        return 0;
    }
    return recursion_enter_c_slow(ts, where);
}
static ALWAYS_INLINE void recursion_leave_c(PyThreadState *ts) { ts->c_recursion_remaining++; }

/* ---- generators (objects/generator.c ...) ---------------------------------------------------------------------------- */

/* A generator, coroutine or async generator around a copy of the frame of func; the frame itself is left as garbage. */
PyObject *generator_from_frame(PyThreadState *ts, Frame *f);
PyObject *generator_yield_from(PyGenObject *gen);                    /* NEW: what it delegates to, NULL if nothing */
PyObject *generator_stopiteration_value(void);                       /* NEW: takes a StopIteration away; NULL: another exception */
int generator_fetch_stopiteration(PyObject **value);                 /* 0 and NEW value, -1: another exception stays */
PyObject *coroutine_awaitable_iter(PyObject *o);                     /* NEW: what `await o` iterates */
PyObject *coroutine_awaitable_iter_for(PyObject *o, int oparg);      /* with the message of GET_AWAITABLE */
PyObject *asyncgen_wrap(PyObject *value);                            /* STEALS; marks a value that `yield` gave */
PyObject *asyncgen_get_aiter(PyObject *o);                           /* STEALS (GET_AITER) */
PyObject *asyncgen_get_anext(PyObject *aiter);                       /* borrowed (GET_ANEXT) */
extern PyTypeObject coroutine_wrapper_type, asyncgen_wrapped_type, asyncgen_athrow_type;

/* ---- helpers of instructions ------------------------------------------------------------------------------------------ */

/* names.c */
void eval_name_error(PyObject *type, const char *format, PyObject *name);
void eval_unbound_error(PyCodeObject *co, int index);
PyObject *eval_load_name(Frame *f, PyObject *name);
PyObject *eval_load_global(Frame *f, PyObject *name);
PyObject *eval_import_from(PyObject *module, PyObject *name);
int eval_import_star(Frame *f, PyObject *module);
PyObject *eval_import(PyThreadState *ts, Frame *f, PyObject *name, PyObject *fromlist, PyObject *level);

/* operators.c */
extern const binaryfunc eval_binary_ops[26];
PyObject *eval_binary_op(PyThreadState *ts, unsigned operation, PyObject *a, PyObject *b);
int eval_unpack(PyThreadState *ts, PyObject *seq, int before, int after, PyObject **top);
PyObject *eval_format(PyObject *value, PyObject *spec);
int eval_delete_or_set_slice(PyObject *container, PyObject *start, PyObject *stop, PyObject *value);
void eval_format_kwargs_error(PyThreadState *ts, PyObject *func, PyObject *kwargs);
int eval_check_args_iterable(PyThreadState *ts, PyObject *func, PyObject *args);

/* exceptions.c */
int eval_raise(PyThreadState *ts, PyObject *exc, PyObject *cause);       /* STEALS both; 1: bare raise re-raised */
int eval_exception_match(PyObject *exc, PyObject *type);
int eval_check_except_type(PyThreadState *ts, PyObject *type);
int eval_check_except_star_type(PyThreadState *ts, PyObject *type);
int eval_group_match(PyObject *exc, PyObject *type, PyObject **match, PyObject **rest);
PyObject *eval_special(PyObject *o, PyObject *name, const char *format);  /* NEW, bound; TypeError by format with the type name */

/* match.c */
PyObject *eval_match_keys(PyThreadState *ts, PyObject *map, PyObject *keys);
PyObject *eval_match_class(PyThreadState *ts, PyObject *subject, PyObject *type, Py_ssize_t nargs, PyObject *kwargs);

/* intrinsics.c */
typedef PyObject *(*Intrinsic1)(PyThreadState *ts, PyObject *value);
typedef PyObject *(*Intrinsic2)(PyThreadState *ts, PyObject *a, PyObject *b);
extern const Intrinsic1 eval_intrinsics_1[];
extern const Intrinsic2 eval_intrinsics_2[];

/* ---- inline caches (specialize.c) ------------------------------------------------------------------------------------- */

static inline uint32_t cache_u32(const CodeUnit *p) { uint32_t v; memcpy(&v, p, sizeof v); return v; }
static inline uint64_t cache_u64(const CodeUnit *p) { uint64_t v; memcpy(&v, p, sizeof v); return v; }
static inline void cache_set_u32(CodeUnit *p, uint32_t v) { memcpy(p, &v, sizeof v); }
static inline void cache_set_u64(CodeUnit *p, uint64_t v) { memcpy(p, &v, sizeof v); }

/* Each tries to put a specialised form over the instruction at `at` (caches behind it), or backs its counter off. */
void specialize_load_attr(PyObject *owner, CodeUnit *at, PyObject *name);
void specialize_store_attr(PyObject *owner, CodeUnit *at, PyObject *name);
void specialize_load_global(Frame *f, CodeUnit *at, PyObject *name);
void specialize_load_super_attr(PyObject *super, PyObject *cls, CodeUnit *at, bool method);
void specialize_binary_op(PyObject *a, PyObject *b, CodeUnit *at, int op, PyObject **locals);
void specialize_compare_op(PyObject *a, PyObject *b, CodeUnit *at, int oparg);
void specialize_binary_subscr(PyObject *container, PyObject *key, CodeUnit *at);
void specialize_store_subscr(PyObject *container, PyObject *key, CodeUnit *at);
void specialize_contains_op(PyObject *container, CodeUnit *at);
void specialize_to_bool(PyObject *value, CodeUnit *at);
void specialize_unpack_sequence(PyObject *seq, CodeUnit *at, int count);
void specialize_for_iter(PyObject *iter, CodeUnit *at, int oparg);
void specialize_send(PyObject *receiver, CodeUnit *at);
void specialize_call(PyThreadState *ts, PyObject *callable, PyObject *self_or_null, CodeUnit *at, int nargs);

/* ---- monitoring (monitoring.c, instrument.c, legacy_trace.c) ------------------------------------------------------------ */

enum {                                  /* events by number; the first ten are local to code objects */
    EVENT_PY_START, EVENT_PY_RESUME, EVENT_PY_RETURN, EVENT_PY_YIELD, EVENT_CALL, EVENT_LINE, EVENT_INSTRUCTION, EVENT_JUMP,
    EVENT_BRANCH, EVENT_STOP_ITERATION, EVENT_RAISE, EVENT_EXCEPTION_HANDLED, EVENT_PY_UNWIND, EVENT_PY_THROW, EVENT_RERAISE,
    EVENT_C_RETURN, EVENT_C_RAISE,
};
enum { TOOL_DEBUGGER = 0, TOOL_COVERAGE = 1, TOOL_PROFILER = 2, TOOL_OPTIMIZER = 5, TOOL_SYS_PROFILE = 6, TOOL_SYS_TRACE = 7 };

int instrument_code(PyCodeObject *co, PyInterpreterState *interp);   /* brings a code object up to the global version */
/* Each calls the tools of an event at instr; 0 or -1. instr's opcode may change. */
int instrument_call(PyThreadState *ts, int event, Frame *f, CodeUnit *instr);
int instrument_call_arg(PyThreadState *ts, int event, Frame *f, CodeUnit *instr, PyObject *arg);
int instrument_call_2args(PyThreadState *ts, int event, Frame *f, CodeUnit *instr, PyObject *arg0, PyObject *arg1);
int instrument_call_jump(PyThreadState *ts, int event, Frame *f, CodeUnit *instr, CodeUnit *target);
PyObject *instrument_called(PyThreadState *ts, Frame *f, CodeUnit *instr, PyObject *callable, PyObject *arg, PyObject *result);
bool instrument_listens(Frame *f, const CodeUnit *instr);             /* some tool wants the event of this instruction */
/* INSTRUMENTED_LINE and INSTRUMENTED_INSTRUCTION: the opcode to run instead, or -1. */
int instrument_line(PyThreadState *ts, Frame *f, CodeUnit *instr, CodeUnit *previous);
int instrument_instruction(PyThreadState *ts, Frame *f, CodeUnit *instr);
/* RAISE, RERAISE, PY_UNWIND, PY_THROW with the current exception; STOP_ITERATION with the value of one made for it. */
int instrument_exception(PyThreadState *ts, Frame *f, CodeUnit *instr, int event);
int instrument_stop_iteration(PyThreadState *ts, Frame *f, CodeUnit *instr, PyObject *value);
/* Where to look for the handler of what a tool raises at `at`. */
CodeUnit *instrument_handler_outside(PyCodeObject *co, CodeUnit *at);
int instrument_handled(PyThreadState *ts, Frame *f, CodeUnit *instr, PyObject *exc);
/* Line of each code unit, for code that lines were traced in. */
static inline int32_t *instrument_line_numbers(PyCodeObject *co)
{
    uintptr_t end = (uintptr_t)(co->_co_monitoring->lines->data + 2 * Py_SIZE(co));
    return (int32_t *)((end + 3) & ~(uintptr_t)3);
}
void instrument_line_resumed(PyCodeObject *co, int unit);            /* a RESUME runs in code that lines are traced in */
static inline bool instrument_wants_lines(PyCodeObject *co)
{
    return co->_co_monitoring && co->_co_monitoring->active_monitors.tools[EVENT_LINE];
}
PyObject *monitoring_missing(PyThreadState *ts);                      /* BORROWED sys.monitoring.MISSING */
int monitoring_set_events(PyInterpreterState *interp, int tool, uint32_t events);
int monitoring_set_local_events(PyCodeObject *co, int tool, uint32_t events);
PyObject *monitoring_register(PyInterpreterState *interp, int tool, int event, PyObject *callable);   /* NEW old one, may be NULL */
int instrument_all(PyInterpreterState *interp);

#endif
