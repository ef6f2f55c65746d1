/* The evaluation loop: one function, entered once for each call from C; calls between Python functions stay inside it.
 *
 * Bodies of instructions are in bodies_*.h, grouped by theme. They see
 *     ts      the thread                     frame   the frame that runs
 *     pc      the next code unit: behind the instruction, on its first cache     sp   the first free stack slot
 *     oparg   its argument, EXTENDED_ARG included
 * and end with NEXT() or a jump. An instruction that can raise, call out or be seen begins with HERE(), which stores where the
 * frame is; one that leaves the frame stores sp too. Whatever is on the operand stack is owned by it. */
#include "eval/eval_private.h"
#include "eval/inline.h"

/* What runs below a call from C: the return address of the called frame leads to INTERPRETER_EXIT, after a return or yield. */
static const CodeUnit exit_code[] = {
    {.op = {NOP, 0}}, {.op = {INTERPRETER_EXIT, 0}}, {.op = {INTERPRETER_EXIT, 0}}, {.op = {RESUME, 0}},
};

#define NEXT() do { CodeUnit unit_ = *pc++; oparg = unit_.op.arg; goto *labels[unit_.op.code]; } while (0)
#define DISPATCH(opcode) goto *labels[opcode]
#define AGAIN() goto *labels[pc[-1].op.code]                /* the same instruction, with what its opcode is now */
#define INST(name) op_##name:
#define HERE() (frame->instr_ptr = pc - 1)
/* Give a reference up where that may be all the instruction does: a destructor that runs then sees this instruction's line. */
#define DROP(o) do { PyObject *o_ = (o); if (!_Py_IsImmortal(o_) && --o_->ob_refcnt == 0) { HERE(); _Py_Dealloc(o_); } } while (0)
#define XDROP(o) do { PyObject *x_ = (o); if (x_) DROP(x_); } while (0)
#define SAVE_SP() (frame->stacktop = (int)(sp - frame->localsplus))
#define LOAD_SP() (sp = frame->localsplus + frame->stacktop)
#define CODE() ((PyCodeObject *)frame->f_executable)
#define CONST(i) (((PyTupleObject *)CODE()->co_consts)->ob_item[i])
#define NAME_AT(i) (((PyTupleObject *)CODE()->co_names)->ob_item[i])
#define LOCAL(i) (frame->localsplus[i])
#define PUSH(v) (*sp++ = (v))
#define POP() (*--sp)
#define TOP() (sp[-1])
#define PEEK(n) (sp[-(Py_ssize_t)(n)])
#define CHECK_BREAKER()                                                                                                 \
    do {                                                                                                                \
        if (UNLIKELY(__atomic_load_n(&ts->eval_breaker, __ATOMIC_RELAXED) & EVAL_EVENTS_MASK)) goto pending;           \
    } while (0)

/* What most often follows is looked at, and done at once when it is that: a jump saved. Any other instruction (instrumented ones
 * have other numbers) is dispatched as usual. pc must stand on the next instruction, the operands must be off the stack. */
#define NEXT_BOOL(truth)                                                                                                \
    do {                                                                                                                \
        bool truth_ = (truth);                                                                                          \
        if (pc->op.code == POP_JUMP_IF_FALSE) pc += truth_ ? 2 : 2 + pc->op.arg;                                        \
        else if (pc->op.code == POP_JUMP_IF_TRUE) pc += truth_ ? 2 + pc->op.arg : 2;                                    \
        else PUSH(truth_ ? Py_True : Py_False);                                                                         \
        NEXT();                                                                                                         \
    } while (0)
#define NEXT_VALUE(value)                                                                                               \
    do {                                                                                                                \
        PyObject *value_ = (value);                                                                                     \
        if (pc->op.code == STORE_FAST) {                                                                                \
            PyObject **local_ = &LOCAL(pc->op.arg), *old_ = *local_;                                                    \
            *local_ = value_;                                                                                           \
            pc++;                                                                                                       \
            Py_XDECREF(old_);                                                                                           \
        }                                                                                                               \
        else PUSH(value_);                                                                                              \
        NEXT();                                                                                                         \
    } while (0)

/* The inline cache: due to try again? Counts down otherwise. */
#define ADAPT(attempt)                                                                                                  \
    do {                                                                                                                \
        if (UNLIKELY(pc[0].cache < 16)) {                                                                               \
            attempt;                                                                                                    \
            AGAIN();                                                                                                    \
        }                                                                                                               \
        pc[0].cache = (uint16_t)(pc[0].cache - 16);                                                                     \
    } while (0)
/* A guard of a specialised form failed: the general one does the work (and counts towards another attempt). */
#define MISS(name) do { if (pc[0].cache >= 16) pc[0].cache = (uint16_t)(pc[0].cache - 16);                                \
        else { pc[-1].op.code = name; } goto general_##name; } while (0)

PyObject *_PyEval_EvalFrameDefault(PyThreadState *ts, Frame *frame, int throw)
{
    static const void *const labels[256] = {
#define INSTR(name, number, ...) [number] = &&op_##name,
#define INSTRUMENTED(name, number, ...) [number] = &&op_##name,
#define SPECIALIZED(name, number, ...) [number] = &&op_##name,
#include "eval/instructions.def"
#define BAD(n) [n] = &&unknown_opcode,
        BAD(119) BAD(120) BAD(121) BAD(122) BAD(123) BAD(124) BAD(125) BAD(126) BAD(127) BAD(128) BAD(129) BAD(130) BAD(131)
        BAD(132) BAD(133) BAD(134) BAD(135) BAD(136) BAD(137) BAD(138) BAD(139) BAD(140) BAD(141) BAD(142) BAD(143) BAD(144)
        BAD(145) BAD(146) BAD(147) BAD(148) BAD(223) BAD(224) BAD(225) BAD(226) BAD(227) BAD(228) BAD(229) BAD(230) BAD(231)
        BAD(232) BAD(233) BAD(234) BAD(235) BAD(255)
    };
    CodeUnit *pc;
    CodeUnit *volatile told;                                   /* what events of an exception name; kept out of registers */
    PyObject **sp;
    unsigned oparg;
    Frame entry;

    entry.f_executable = Py_None;
    entry.f_funcobj = NULL;
    entry.f_globals = entry.f_builtins = entry.f_locals = NULL;
    entry.frame_obj = NULL;
    entry.instr_ptr = (CodeUnit *)(uintptr_t)exit_code;
    entry.stacktop = 0;
    entry.return_offset = 1;
    entry.owner = FRAME_OWNED_BY_CSTACK;
    entry.previous = ts->current_frame;
    frame->previous = &entry;
    ts->current_frame = frame;
    if (UNLIKELY(recursion_enter_c(ts, ""))) {
        ts->c_recursion_remaining--;
        ts->py_recursion_remaining--;
        goto exit_unwind;
    }
    if (throw) {
        if (recursion_enter_python(ts)) goto exit_unwind;
        pc = frame->instr_ptr;                             /* an exception at the yield before it, unless the frame was moved */
        LOAD_SP();
        if (CODE()->_co_instrumentation_version != (ts->eval_breaker & ~(uintptr_t)EVAL_EVENTS_MASK) &&
            instrument_code(CODE(), ts->interp) < 0) goto error;
        if (UNLIKELY(ts->interp->eval.monitors.tools[EVENT_PY_THROW])) (void)instrument_exception(ts, frame, pc, EVENT_PY_THROW);
        if (code_base_opcode(CODE(), frame_lasti_units(frame)) != RESUME && code_base_opcode(CODE(), frame_lasti_units(frame) - 1) != RETURN_GENERATOR)
            pc++;
        goto error;
    }

start_frame:
    if (recursion_enter_python(ts)) goto exit_unwind;
    pc = frame->instr_ptr;
    LOAD_SP();
    if (LIKELY(pc->op.code == RESUME_CHECK && __atomic_load_n(&ts->eval_breaker, __ATOMIC_RELAXED) == CODE()->_co_instrumentation_version)) pc++;
    NEXT();

#include "eval/bodies_basic.h"
#include "eval/bodies_names.h"
#include "eval/bodies_attributes.h"
#include "eval/bodies_operators.h"
#include "eval/bodies_build.h"
#include "eval/bodies_calls.h"
#include "eval/bodies_iteration.h"
#include "eval/bodies_generators.h"
#include "eval/bodies_exceptions.h"
#include "eval/bodies_match.h"
#include "eval/bodies_instrumented.h"

op_RESERVED:
op_ENTER_EXECUTOR:
unknown_opcode:
    HERE();
    PyErr_Format(PyExc_SystemError, "%U:%d: unknown opcode %d", CODE()->co_filename, frame_line(frame), pc[-1].op.code);
    goto error;

pending:                                                   /* frame->instr_ptr is current, pc the next instruction */
    SAVE_SP();
    if (eval_handle_pending(ts) < 0) {
        pc = frame->instr_ptr + 1;
        goto error;
    }
    NEXT();

error:                                                     /* raised by the instruction before pc */
    if (UNLIKELY(!ts->current_exception))
        PyErr_SetString(PyExc_SystemError, "error return without exception set");
    told = pc - 1;
    if (UNLIKELY(ts->interp->eval.monitors.tools[EVENT_RAISE] | ts->interp->eval.monitors.tools[EVENT_PY_UNWIND]) && told == frame->instr_ptr)
        told += opcode_cache_units[code_base_opcode(CODE(), frame_lasti_units(frame))];

error_told:
    if (!frame_is_incomplete(frame)) {
        SAVE_SP();
        PyFrameObject *object = frame_object(frame);
        if (object) PyTraceBack_Here(object);
        if (UNLIKELY(ts->interp->eval.monitors.tools[EVENT_RAISE])) (void)instrument_exception(ts, frame, told, EVENT_RAISE);
    }
    goto unwind_told;

exception_unwind:                                          /* raised again, or in the course of unwinding */
    told = pc - 1;

unwind_told: {
        int target, depth, push_lasti;
        PyObject **bottom = frame->localsplus + CODE()->co_nlocalsplus;
        if (!code_find_handler(CODE(), (int)(pc - 1 - CODE_UNITS(CODE())), &target, &depth, &push_lasti) || UNLIKELY(depth > sp - bottom)) {
            while (sp > bottom) { PyObject *dropped = POP(); Py_XDECREF(dropped); }
            SAVE_SP();
            if (UNLIKELY(ts->interp->eval.monitors.tools[EVENT_PY_UNWIND])) (void)instrument_exception(ts, frame, told, EVENT_PY_UNWIND);
            goto exit_unwind;
        }
        PyObject **keep = bottom + depth;
        while (sp > keep) { PyObject *dropped = POP(); Py_XDECREF(dropped); }
        if (push_lasti) {
            PyObject *lasti = PyLong_FromLong(frame_lasti_units(frame));
            if (!lasti) goto exception_unwind;
            PUSH(lasti);
        }
        PyObject *raised = ts->current_exception;          /* its reference moves to the stack */
        ts->current_exception = NULL;
        PUSH(raised);
        pc = CODE_UNITS(CODE()) + target;
        if (UNLIKELY(ts->interp->eval.monitors.tools[EVENT_EXCEPTION_HANDLED])) {
            SAVE_SP();
            if (instrument_handled(ts, frame, pc, raised) < 0) {
                told = pc;
                pc = instrument_handler_outside(CODE(), told) + 1;
                goto unwind_told;
            }
        }
        NEXT();
    }

exit_unwind:
    ts->py_recursion_remaining++;
    {
        Frame *dying = frame;
        frame = ts->current_frame = dying->previous;
        PyObject *exc = ts->current_exception;
        ts->current_exception = NULL;
        frame_leave_slow(ts, dying);
        if (UNLIKELY(ts->current_exception != NULL)) PyErr_Clear();
        ts->current_exception = exc;
    }
    frame->return_offset = 0;
    if (frame->owner == FRAME_OWNED_BY_CSTACK) {
        ts->current_frame = frame->previous;
        recursion_leave_c(ts);
        return NULL;
    }
    pc = frame->instr_ptr + 1;
    told = frame->instr_ptr - 1;                               /* as CPython tells it: the unit before the call */
    LOAD_SP();
    goto error_told;
}
