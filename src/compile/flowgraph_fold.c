/* Rewriting inside one block: jumps to jumps, tests of constants, tuples of constants, comparisons and truth tests that fit
 * together, SWAP sequences, superinstructions. What becomes useless turns into NOP and keeps its line until graph_remove_nops(). */
#include "compile/flowgraph_private.h"

#define TRY(call) do { if ((call) < 0) return -1; } while (0)

/* ---- constants ---------------------------------------------------------------------------------------------------- */

static int add_const(Graph *g, PyObject *value)        /* value: STOLEN */
{
    value = const_cache_merge(g->be->consts, value);
    return value ? meta_add_const(g->be->arena, g->meta, value) : -1;
}

/* LOAD_CONST a; LOAD_CONST b; ... BUILD_TUPLE n */
static int fold_tuple(Graph *g, Node *build)
{
    int n = build->oparg;
    Node *loads = build - n;
    for (int i = 0; i < n; i++)
        if (!opcode_has_const(loads[i].opcode)) return 0;
    PyObject *tuple = PyTuple_New(n);
    if (!tuple) return -1;
    for (int i = 0; i < n; i++) PyTuple_SET_ITEM(tuple, i, Py_NewRef(g->meta->consts[loads[i].oparg]));
    int index = add_const(g, tuple);
    if (index < 0) return -1;
    for (int i = 0; i < n; i++) node_clear(&loads[i]);
    node_set(build, LOAD_CONST, index);
    return 0;
}

/* `None` loaded for `is`, followed by a conditional jump: the jump tests for None itself. */
static void fold_is_none(Graph *g, Block *b, int i, int const_index)
{
    if (g->meta->consts[const_index] != Py_None || b->used <= i + 2) return;
    Node *test = &b->nodes[i + 1], *jump = &b->nodes[i + 2];
    if (jump->opcode == TO_BOOL) {
        node_clear(jump);
        if (b->used <= i + 3) return;
        jump = &b->nodes[i + 3];
    }
    bool invert = test->oparg;
    if (jump->opcode == POP_JUMP_IF_FALSE) invert = !invert;
    else if (jump->opcode != POP_JUMP_IF_TRUE) return;
    node_clear(&b->nodes[i]);
    node_clear(test);
    jump->opcode = invert ? POP_JUMP_IF_NOT_NONE : POP_JUMP_IF_NONE;
}

/* A constant, loaded by LOAD_CONST or copied behind one, with the instruction that uses it. */
static int fold_constant_use(Graph *g, Block *b, int *at, int const_index)
{
    int i = *at;
    Node *load = &b->nodes[i], *next = i + 1 < b->used ? &b->nodes[i + 1] : NULL;
    int truth;
    switch (next ? next->opcode : 0) {
    case POP_JUMP_IF_FALSE:
    case POP_JUMP_IF_TRUE:
        truth = PyObject_IsTrue(g->meta->consts[const_index]);
        if (truth < 0) return -1;
        node_clear(load);
        if (truth == (next->opcode == POP_JUMP_IF_TRUE)) next->opcode = JUMP;
        else node_clear(next);
        break;
    case IS_OP:
        fold_is_none(g, b, i, const_index);
        break;
    case RETURN_VALUE:
        node_clear(load);
        node_set(next, RETURN_CONST, const_index);
        ++*at;
        break;
    case TO_BOOL: {
        truth = PyObject_IsTrue(g->meta->consts[const_index]);
        int index = truth < 0 ? -1 : add_const(g, PyBool_FromLong(truth));
        if (index < 0) return -1;
        node_clear(load);
        node_set(next, LOAD_CONST, index);
        break;
    }
    }
    return 0;
}

/* ---- jumps ---------------------------------------------------------------------------------------------------------- */

/* A jump to a jump goes where that goes. The old one stays as a NOP for its line; 1 when something changed. */
static int thread_jump(Graph *g, Block *b, Node *jump, const Node *target, int opcode)
{
    if (jump->target == target->target) return 0;
    Node threaded = { opcode, 0, target->loc, target->target, NULL };
    node_clear(jump);
    return block_add(g, b, threaded) < 0 ? -1 : 1;
}

/* ---- one block -------------------------------------------------------------------------------------------------------- */

/* Pairs that become one instruction: the first turns into NOP, so that the line of the second holds. */
static void merge_pair(Node *first, Node *second, int opcode, int oparg)
{
    node_clear(first);
    node_set(second, opcode, oparg);
}

/* 1: look at the next instruction; 0: nothing done; -1: exception */
static int optimize_build_tuple(Graph *g, Block *b, int i)
{
    Node *build = &b->nodes[i], *next = i + 1 < b->used ? build + 1 : NULL;
    if (next && next->opcode == UNPACK_SEQUENCE && next->oparg == build->oparg && build->oparg >= 1 && build->oparg <= 3) {
        node_clear(build);
        if (build[1].oparg == 1) node_clear(next);
        else next->opcode = SWAP;
        return 1;
    }
    return i >= build->oparg ? fold_tuple(g, build) : 0;
}

static void optimize_test(Node *test, Node *next)
{
    switch (test->opcode) {
    case COMPARE_OP:
        if (next->opcode == TO_BOOL) merge_pair(test, next, COMPARE_OP, test->oparg | 16);
        break;
    case CONTAINS_OP:
    case IS_OP:
        if (next->opcode == TO_BOOL) merge_pair(test, next, test->opcode, test->oparg);
        else if (next->opcode == UNARY_NOT) merge_pair(test, next, test->opcode, test->oparg ^ 1);
        break;
    case TO_BOOL:
        if (next->opcode == TO_BOOL) node_clear(test);
        break;
    case UNARY_NOT:
        if (next->opcode == TO_BOOL) merge_pair(test, next, UNARY_NOT, 0);
        else if (next->opcode == UNARY_NOT) {
            node_clear(test);
            node_clear(next);
        }
        break;
    }
}

static int optimize_instruction(Graph *g, Block *b, int i)
{
    Node *in = &b->nodes[i], *next = i + 1 < b->used ? in + 1 : NULL;
    const Node *target = opcode_has_target(in->opcode) ? &in->target->nodes[0] : NULL;
    int opcode = in->opcode;
    switch (opcode) {
    case BUILD_TUPLE:
        return optimize_build_tuple(g, b, i) < 0 ? -1 : 0;
    case POP_JUMP_IF_NOT_NONE:
    case POP_JUMP_IF_NONE:
    case POP_JUMP_IF_FALSE:
    case POP_JUMP_IF_TRUE:
        return target->opcode == JUMP ? thread_jump(g, b, in, target, opcode) : 0;
    case JUMP:
    case JUMP_NO_INTERRUPT:
        if (target->opcode == JUMP) return thread_jump(g, b, in, target, JUMP);
        if (target->opcode == JUMP_NO_INTERRUPT) return thread_jump(g, b, in, target, opcode);
        return 0;
    case COMPARE_OP:
    case CONTAINS_OP:
    case IS_OP:
    case TO_BOOL:
    case UNARY_NOT:
        if (next) optimize_test(in, next);
        return 0;
    case STORE_FAST:                                   /* the same variable twice: the first value is lost at once */
        if (next && next->opcode == STORE_FAST && next->oparg == in->oparg && next->loc.lineno == in->loc.lineno)
            node_set(in, POP_TOP, 0);
        return 0;
    case SWAP:
        if (in->oparg == 1) node_clear(in);
        return 0;
    case LOAD_GLOBAL:
        if (next && next->opcode == PUSH_NULL && !(in->oparg & 1)) {
            in->oparg |= 1;
            node_clear(next);
        }
        return 0;
    }
    return 0;
}

/* ---- SWAP ----------------------------------------------------------------------------------------------------------- */

static inline bool is_swappable(int op) { return op == STORE_FAST || op == STORE_FAST_MAYBE_NULL || op == POP_TOP; }
static inline int stored_local(const Node *n)
{
    return n->opcode == STORE_FAST || n->opcode == STORE_FAST_MAYBE_NULL ? n->oparg : -1;
}

/* The next instruction that only takes the top of the stack away, or -1 when something else comes before it.
 * line: not -1: it must stand on that line. */
static int next_swappable(const Block *b, int i, int line)
{
    while (++i < b->used) {
        if (line >= 0 && b->nodes[i].loc.lineno != line) return -1;
        if (b->nodes[i].opcode == NOP) continue;
        return is_swappable(b->nodes[i].opcode) ? i : -1;
    }
    return -1;
}

/* Several SWAPs in a row permute the stack; the same permutation is written with as few of them as its cycles need, at the
 * end of the row. Leaves *at on the last instruction of the row. */
static int shorten_swaps(Graph *g, Block *b, int *at)
{
    enum { DONE = -1 };
    Node *row = &b->nodes[*at];
    int depth = row[0].oparg, length = 1, limit = b->used - *at;
    bool several = false;
    for (; length < limit; length++) {
        if (row[length].opcode == SWAP) {
            if (row[length].oparg > depth) depth = row[length].oparg;
            several = true;
        }
        else if (row[length].opcode != NOP) break;
    }
    if (!several) return 0;
    int *stack = pool_alloc(&g->be->pool, (size_t)depth * sizeof *stack);
    if (!stack) return -1;
    for (int i = 0; i < depth; i++) stack[i] = i;
    for (int i = 0; i < length; i++) {
        if (row[i].opcode != SWAP) continue;
        int top = stack[0];
        stack[0] = stack[row[i].oparg - 1];
        stack[row[i].oparg - 1] = top;
    }
    int last = length - 1;                             /* written from the end */
    for (int i = 0; i < depth; i++) {
        if (stack[i] == DONE || stack[i] == i) continue;
        for (int j = i;;) {                            /* a cycle; each of its places but the top is swapped with the top */
            if (j) node_set(&row[last--], SWAP, j + 1);
            if (stack[j] == DONE) break;
            int next = stack[j];
            stack[j] = DONE;
            j = next;
        }
    }
    while (last >= 0) node_clear(&row[last--]);
    *at += length - 1;
    return 0;
}

/* Two stores in exchanged order do the work of a SWAP in front of them, if nothing between them minds. */
static void apply_swaps(Block *b, int i)
{
    for (; i >= 0; i--) {
        Node *swap = &b->nodes[i];
        if (swap->opcode != SWAP) {
            if (swap->opcode == NOP || is_swappable(swap->opcode)) continue;
            return;
        }
        int first = next_swappable(b, i, -1);
        if (first < 0) return;
        int second = first, line = b->nodes[first].loc.lineno;
        for (int count = swap->oparg - 1; count > 0; count--) {
            second = next_swappable(b, second, line);
            if (second < 0) return;
        }
        int to_first = stored_local(&b->nodes[first]), to_second = stored_local(&b->nodes[second]);
        if (to_first >= 0 || to_second >= 0) {
            if (to_first == to_second) return;
            for (int k = first + 1; k < second; k++) {
                int to = stored_local(&b->nodes[k]);
                if (to >= 0 && (to == to_first || to == to_second)) return;
            }
        }
        node_clear(swap);
        Node saved = b->nodes[first];
        b->nodes[first] = b->nodes[second];
        b->nodes[second] = saved;
    }
}

int graph_optimize_block(Graph *g, Block *b)
{
    bool loaded_const = false;                         /* the instruction before was LOAD_CONST const_index, or a copy of it */
    int const_index = 0;
    for (int i = 0; i < b->used; i++) {
        Node *in = &b->nodes[i];
        bool copies_const = loaded_const && in->opcode == COPY && in->oparg == 1;
        if (!copies_const) {
            loaded_const = in->opcode == LOAD_CONST;
            const_index = in->oparg;
        }
        if (loaded_const) {
            TRY(fold_constant_use(g, b, &i, const_index));
            continue;
        }
        int redo = optimize_instruction(g, b, i);
        if (redo < 0) return -1;
        i -= redo;
    }
    for (int i = 0; i < b->used; i++) {
        if (b->nodes[i].opcode != SWAP) continue;
        TRY(shorten_swaps(g, b, &i));
        apply_swaps(b, i);
    }
    return 0;
}

/* ---- superinstructions -------------------------------------------------------------------------------------------------- */

static void make_super(Node *first, Node *second, int opcode)
{
    int line = first->loc.lineno, line2 = second->loc.lineno;
    if ((line >= 0 && line2 >= 0 && line != line2) || first->oparg >= 16 || second->oparg >= 16) return;
    node_set(first, opcode, first->oparg << 4 | second->oparg);
    node_clear(second);
}

int graph_superinstructions(Graph *g)
{
    for (Block *b = g->entry; b; b = b->next)
        for (int i = 0; i + 1 < b->used; i++) {
            Node *in = &b->nodes[i], *next = in + 1;
            if (in->opcode == LOAD_FAST) {
                if (next->opcode == LOAD_FAST) make_super(in, next, LOAD_FAST_LOAD_FAST);
            }
            else if (in->opcode == STORE_FAST) {
                if (next->opcode == LOAD_FAST) make_super(in, next, STORE_FAST_LOAD_FAST);
                else if (next->opcode == STORE_FAST) make_super(in, next, STORE_FAST_STORE_FAST);
            }
        }
    return graph_remove_nops(g);
}
