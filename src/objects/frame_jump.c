/* Setting f_lineno: a debugger moves a frame to another line.
 *
 * What is on the operand stack at each instruction is found by walking the code; a jump is allowed when the stack here, after
 * dropping entries, fits the stack there. A stack is a word of three bits an entry, the top lowest. */
#include "eval/eval_private.h"

typedef enum { KIND_ITERATOR = 1, KIND_EXCEPT = 2, KIND_OBJECT = 3, KIND_NULL = 4, KIND_LASTI = 5,
               KIND_RAISED = 6 /* at the entry of a handler, not yet the handled one */ } Kind;
enum { KIND_BITS = 3, KIND_MASK = 7, STACK_ENTRIES_MAX = 63 / KIND_BITS, STACK_WILL_OVERFLOW = 0 };

typedef int64_t Stack;
#define STACK_EMPTY ((Stack)0)
#define STACK_UNKNOWN ((Stack)-2)
#define STACK_OVERFLOWED ((Stack)-1)

static Stack stack_push(Stack s, Kind kind)
{
    if (s < 0) return s;
    return (uint64_t)s >= UINT64_C(1) << ((STACK_ENTRIES_MAX - 1) * KIND_BITS) ? STACK_OVERFLOWED : s << KIND_BITS | kind;
}
static Stack stack_pop(Stack s) { return s < 0 ? s : s >> KIND_BITS; }
static Kind stack_top(Stack s) { return (Kind)(s & KIND_MASK); }
static Kind stack_peek(Stack s, int n) { return (Kind)(s >> (KIND_BITS * (n - 1)) & KIND_MASK); }
static Stack stack_swap(Stack s, int n)
{
    Kind top = stack_top(s), other = stack_peek(s, n);
    int shift = KIND_BITS * (n - 1);
    s &= ~((Stack)KIND_MASK | (Stack)KIND_MASK << shift);
    return s | other | (Stack)top << shift;
}
static int stack_depth(Stack s)
{
    int n = 0;
    for (; s > 0; s >>= KIND_BITS) n++;
    return n;
}

static Stack stack_to_depth(Stack s, int depth)
{
    for (int n = stack_depth(s); n > depth; n--) s = stack_pop(s);
    return s;
}

static void reach(Stack *stacks, int n, int target, Stack s, int from, bool *again)
{
    if (target < 0 || target >= n || stacks[target] != STACK_UNKNOWN) return;
    stacks[target] = s;
    if (target <= from) *again = true;
}

/* The effect of one instruction; sets what follows it and where it jumps. */
static void walk_one(PyCodeObject *co, Stack *stacks, int n, int i, int next, int op, int oparg, bool *again)
{
    Stack s = stacks[i];
    switch (op) {
    case POP_JUMP_IF_FALSE: case POP_JUMP_IF_TRUE: case POP_JUMP_IF_NONE: case POP_JUMP_IF_NOT_NONE:
        s = stack_pop(s);
        reach(stacks, n, next + oparg, s, i, again);
        break;
    case SEND:
        reach(stacks, n, next + oparg, s, i, again);
        break;
    case JUMP_BACKWARD: case JUMP_BACKWARD_NO_INTERRUPT:
        reach(stacks, n, next - oparg, s, i, again);
        return;
    case JUMP_FORWARD:
        reach(stacks, n, next + oparg, s, i, again);
        return;
    case GET_ITER: case GET_AITER:
        s = stack_push(stack_pop(s), KIND_ITERATOR);
        break;
    case FOR_ITER:
        s = stack_push(s, KIND_OBJECT);
        reach(stacks, n, next + oparg, s, i, again);
        break;
    case END_ASYNC_FOR:
        s = stack_pop(stack_pop(s));
        break;
    case PUSH_EXC_INFO:
        s = stack_push(stack_push(stack_pop(s), KIND_EXCEPT), KIND_EXCEPT);
        break;
    case POP_EXCEPT:
        s = stack_pop(s);
        break;
    case RETURN_VALUE: case RETURN_CONST: case RAISE_VARARGS: case RERAISE:
        return;
    case PUSH_NULL:
        s = stack_push(s, KIND_NULL);
        break;
    case LOAD_GLOBAL:
        s = stack_push(s, KIND_OBJECT);
        if (oparg & 1) s = stack_push(s, KIND_NULL);
        break;
    case LOAD_ATTR:
        s = stack_push(stack_pop(s), KIND_OBJECT);
        if (oparg & 1) s = stack_push(s, KIND_NULL);
        break;
    case SWAP:
        s = s < 0 ? s : stack_swap(s, oparg);
        break;
    case COPY:
        s = stack_push(s, stack_peek(s, oparg));
        break;
    default:
        /* entries that stay keep their kind */
        for (int k = opcode_pops(op, oparg) - opcode_pushes(op, oparg); k > 0; k--) s = stack_pop(s);
        for (int k = opcode_pushes(op, oparg) - opcode_pops(op, oparg); k > 0; k--) s = stack_push(s, KIND_OBJECT);
    }
    reach(stacks, n, next, s, i, again);
}

/* PyMem array of a stack per code unit; NULL with MemoryError. */
static Stack *stacks_of(PyCodeObject *co)
{
    int n = (int)Py_SIZE(co);
    Stack *stacks = PyMem_Malloc(((size_t)n + 1) * sizeof(Stack));
    if (!stacks) {
        PyErr_NoMemory();
        return NULL;
    }
    for (int i = 0; i <= n; i++) stacks[i] = STACK_UNKNOWN;
    stacks[0] = STACK_EMPTY;
    if (co->co_flags & (CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR)) stacks[0] = stack_push(STACK_EMPTY, KIND_OBJECT);
    for (bool again = true; again;) {
        again = false;
        int extended = 0;
        for (int i = 0; i < n;) {
            int op = code_base_opcode(co, i), oparg = extended << 8 | CODE_UNITS(co)[i].op.arg, next = i + 1 + opcode_cache_units[op];
            extended = op == EXTENDED_ARG ? oparg : 0;
            if (stacks[i] != STACK_UNKNOWN) {
                if (op == RETURN_GENERATOR) reach(stacks, n, next, stack_push(stack_pop(stacks[i]), KIND_OBJECT), i, &again);
                else walk_one(co, stacks, n, i, next, op, oparg, &again);
                int target, depth, lasti;
                if (code_find_handler(co, i, &target, &depth, &lasti) && target < n && stacks[target] == STACK_UNKNOWN) {
                    Stack s = stack_to_depth(stacks[i], depth);
                    if (lasti) s = stack_push(s, KIND_LASTI);
                    stacks[target] = stack_push(s, KIND_RAISED);
                    again = true;
                }
            }
            i = next;
        }
    }
    return stacks;
}

static bool kinds_fit(Kind from, Kind to)
{
    if (to == 0) return false;
    if (to == KIND_OBJECT) return from != KIND_NULL;
    if (to == KIND_NULL) return true;
    return from == to;
}

static bool stacks_fit(Stack from, Stack to)
{
    if (from < 0 || to < 0) return false;
    while (from > to) from = stack_pop(from);
    for (; from; from = stack_pop(from), to = stack_pop(to))
        if (!kinds_fit(stack_top(from), stack_top(to))) return false;
    return to == 0;
}

static const char *misfit(Stack to)
{
    if (to == STACK_OVERFLOWED) return "stack is too deep to analyze";
    if (to == STACK_UNKNOWN) return "can't jump into an exception handler, or code may be unreachable";
    switch (stack_top(to)) {
    case KIND_EXCEPT: case KIND_RAISED: return "can't jump into an 'except' block as there's no exception";
    case KIND_LASTI: return "can't jump into a re-raising block as there's no location";
    case KIND_OBJECT: case KIND_NULL: return "incompatible stacks";
    case KIND_ITERATOR: return "can't jump into the body of a for loop";
    default: return "incompatible stacks";
    }
}

static int *line_table(PyCodeObject *co)
{
    int n = (int)Py_SIZE(co), last = -1;
    int *lines = PyMem_Malloc(((size_t)n + 1) * sizeof(int));
    if (!lines) {
        PyErr_NoMemory();
        return NULL;
    }
    for (int i = 0; i <= n; i++) lines[i] = -1;
    PyCodeAddressRange r;
    for (code_lines_begin(&r, co); code_lines_next(&r);) {      /* only where a line begins */
        int start = r.ar_start / (int)sizeof(CodeUnit), end = r.ar_end / (int)sizeof(CodeUnit);
        if (start < co->_co_firsttraceable) start = co->_co_firsttraceable;     /* cells and generators are made once */
        if (r.ar_line != last && r.ar_line != -1 && start < end) {
            lines[start] = r.ar_line;
            last = r.ar_line;
        }
    }
    return lines;
}

/* Only the frame that a tool hears of just now stands at a known place. */
static int event_check(PyThreadState *ts, Frame *f)
{
    const char *message = NULL;
    switch (ts->what_event) {
    case EVENT_PY_RESUME: case EVENT_JUMP: case EVENT_BRANCH: case EVENT_LINE: case EVENT_PY_YIELD: case EVENT_INSTRUCTION:
        if (f == ((Thread *)ts)->event_frame) return 0;
        message = "can only jump from a 'line' trace event";
        break;
    case EVENT_PY_START: message = "can't jump from the 'call' trace event of a new frame"; break;
    case EVENT_CALL: case EVENT_C_RETURN: case EVENT_C_RAISE: message = "can't jump during a call"; break;
    default: message = ts->what_event < 0 ? "f_lineno can only be set in a trace function" : "can only jump from a 'line' trace event";
    }
    PyErr_SetString(PyExc_ValueError, message);
    return -1;
}

/* The best unit for the line: the one that keeps most of the stack. Unit and *stack, or -1 with ValueError. */
static int find_target(PyCodeObject *co, const int *lines, const Stack *stacks, int line, Stack start, Stack *stack)
{
    const char *message = "cannot find bytecode for specified line";
    int best = -1;
    bool explained = false;
    *stack = STACK_OVERFLOWED;
    for (int i = 0; i < Py_SIZE(co); i++) {
        if (lines[i] != line) continue;
        if (stacks_fit(start, stacks[i])) {
            if (stacks[i] > *stack) {
                *stack = stacks[i];
                best = i;
            }
        }
        else if (best < 0 && !explained) {
            if (start == STACK_OVERFLOWED) message = "stack to deep to analyze";
            else if (start == STACK_UNKNOWN) message = "can't jump from unreachable code";
            else {
                message = misfit(stacks[i]);
                explained = true;
            }
        }
    }
    if (best < 0) PyErr_SetString(PyExc_ValueError, message);
    return best;
}

static int bind_unbound(Frame *f, PyCodeObject *co)
{
    int unbound = 0;
    for (int i = 0; i < co->co_nlocalsplus; i++) unbound += f->localsplus[i] == NULL;
    if (!unbound) return 0;
    if (PyErr_WarnFormat(PyExc_RuntimeWarning, 0, unbound == 1 ? "assigning None to %d unbound local" : "assigning None to %d unbound locals",
                         unbound) < 0) return -1;
    for (int i = 0; i < co->co_nlocalsplus; i++)
        if (!f->localsplus[i]) f->localsplus[i] = Py_NewRef(Py_None);
    return 0;
}

static void drop_entries(Frame *f, Stack start, Stack end)
{
    while (start > end) {
        PyObject *v = f->localsplus[--f->stacktop];
        if (stack_top(start) == KIND_EXCEPT) {                  /* the handler's entry: what was handled before is so again */
            PyThreadState *ts = PyThreadState_GET();
            Py_XSETREF(ts->exc_info->exc_value, v == Py_None ? NULL : v);
        }
        else Py_XDECREF(v);
        start = stack_pop(start);
    }
}

int frame_set_lineno(PyFrameObject *o, PyObject *value, void *closure)
{
    Frame *f = o->f_frame;
    PyCodeObject *co = frame_code(f);
    if (!value) {
        PyErr_SetString(PyExc_AttributeError, "cannot delete attribute");
        return -1;
    }
    if (!PyLong_CheckExact(value)) {
        PyErr_SetString(PyExc_ValueError, "lineno must be an integer");
        return -1;
    }
    PyThreadState *ts = PyThreadState_GET();
    if (event_check(ts, f) < 0) return -1;
    int overflow;
    long wanted = PyLong_AsLongAndOverflow(value, &overflow);
    if (overflow || wanted > INT_MAX || wanted < INT_MIN) {
        PyErr_SetString(PyExc_ValueError, "lineno out of range");
        return -1;
    }
    int line = (int)wanted, status = -1;
    if (line < co->co_firstlineno) {
        PyErr_Format(PyExc_ValueError, "line %d comes before the current code block", line);
        return -1;
    }
    int *lines = line_table(co), first = INT_MAX;
    Stack *stacks = lines ? stacks_of(co) : NULL;
    if (!stacks) goto done;
    for (int i = 0; i < Py_SIZE(co); i++)
        if (lines[i] >= line && lines[i] < first) first = lines[i];
    if (first == INT_MAX) {
        PyErr_Format(PyExc_ValueError, "line %d comes after the current code block", line);
        goto done;
    }
    Stack start = stacks[frame_lasti_units(f)], end;
    int target = find_target(co, lines, stacks, first, start, &end);
    if (target < 0 || bind_unbound(f, co) < 0) goto done;
    if (ts->what_event == EVENT_PY_YIELD) start = stack_pop(start);              /* the value that the yield takes */
    if (stack_depth(start) != f->stacktop - co->co_nlocalsplus) {               /* within an instruction, after it took its operands */
        PyErr_SetString(PyExc_ValueError, "can only jump from a 'line' trace event");
        goto done;
    }
    drop_entries(f, start, end);
    o->f_lineno = 0;
    f->instr_ptr = CODE_UNITS(co) + target;
    status = 0;
done:
    PyMem_Free(lines);
    PyMem_Free(stacks);
    return status;
}
