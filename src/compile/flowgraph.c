/* From the instruction list of code generation to the one that is assembled: blocks and exception handlers, optimisation,
 * checks for unbound locals, cold code to the end, line numbers, stack depth, local slots, direction of jumps.
 *
 * The order of the passes shows in the result and is that of CPython 3.13. Every pass is linear in the size of the code, or
 * repeats a linear pass as long as it removes something. */
#include "compile/flowgraph_private.h"

#define TRY(call) do { if ((call) < 0) return -1; } while (0)

enum { MAX_COPIED_EXIT = 4, TRACKED_LOCALS = 64 };

/* ---- blocks ------------------------------------------------------------------------------------------------------- */

Block *block_new(Graph *g)
{
    Block *b = pool_zalloc(&g->be->pool, sizeof *b);
    if (b) g->block_count++;
    return b;
}

static int block_reserve(Graph *g, Block *b, int extra)
{
    if (b->used + extra <= b->capacity) return 0;
    int capacity = (b->used + extra) + (b->used + extra) / 2 + 4;
    Node *nodes = pool_alloc(&g->be->pool, (size_t)capacity * sizeof *nodes);
    if (!nodes) return -1;
    if (b->used) memcpy(nodes, b->nodes, (size_t)b->used * sizeof *nodes);
    b->nodes = nodes;
    b->capacity = capacity;
    return 0;
}

int block_add(Graph *g, Block *b, Node node)
{
    TRY(block_reserve(g, b, 1));
    b->nodes[b->used++] = node;
    return 0;
}

int block_insert(Graph *g, Block *b, int at, Node node)
{
    TRY(block_reserve(g, b, 1));
    memmove(b->nodes + at + 1, b->nodes + at, (size_t)(b->used - at) * sizeof(Node));
    b->nodes[at] = node;
    b->used++;
    return 0;
}

int block_append(Graph *g, Block *b, const Block *from)
{
    int n = from->used;
    TRY(block_reserve(g, b, n));
    if (n) memcpy(b->nodes + b->used, from->nodes, (size_t)n * sizeof(Node));
    b->used += n;
    return 0;
}

Block **block_stack(Graph *g)
{
    for (Block *b = g->entry; b; b = b->next) b->visited = false;
    return pool_alloc(&g->be->pool, (size_t)(g->block_count + 1) * sizeof(Block *));
}

/* ---- from the list ------------------------------------------------------------------------------------------------ */

/* A block begins at every instruction that is a target, and behind every one that ends a block. */
static int graph_from_list(Graph *g, InstrList *list)
{
    instrs_resolve_labels(list);
    int n = list->used;
    Block **starting = pool_zalloc(&g->be->pool, (size_t)(n + 1) * sizeof *starting);   /* target -> its block */
    Node *nodes = pool_alloc(&g->be->pool, (size_t)(n ? n : 1) * sizeof *nodes);
    uint8_t *is_target = pool_zalloc(&g->be->pool, (size_t)n + 1);
    if (!starting || !nodes || !is_target) return -1;
    for (int i = 0; i < n; i++) {
        Instr *in = &list->items[i];
        if (!opcode_has_target(in->opcode)) continue;
        if (in->oparg < 0 || in->oparg >= n) {
            PyErr_SetString(PyExc_ValueError, "jump target out of range");
            return -1;
        }
        is_target[in->oparg] = 1;
    }
    Block *b = g->entry = block_new(g);
    if (!b) return -1;
    b->nodes = nodes;
    for (int i = 0; i < n; i++) {
        Instr *in = &list->items[i];
        bool ended = b->used && is_terminator(b->nodes[b->used - 1].opcode);
        if (ended || (is_target[i] && (b->used || b->labelled))) {
            b->capacity = b->used;
            b = b->next = block_new(g);
            if (!b) return -1;
            b->nodes = nodes + i;
        }
        if (is_target[i]) {
            b->labelled = true;
            starting[i] = b;
        }
        b->nodes[b->used++] = (Node){ in->opcode, in->oparg, in->loc, NULL, NULL };
    }
    b->capacity = b->used;
    for (b = g->entry; b; b = b->next)
        for (int i = 0; i < b->used; i++)
            if (opcode_has_target(b->nodes[i].opcode)) b->nodes[i].target = starting[b->nodes[i].oparg];
    return 0;
}

/* ---- exception handlers ------------------------------------------------------------------------------------------------ */

static const Handlers *handlers_push(Graph *g, const Handlers *outer, Node *setup)
{
    Handlers *h = pool_alloc(&g->be->pool, sizeof *h);
    if (!h) return NULL;
    if (setup->opcode != SETUP_FINALLY) setup->target->preserve_lasti = true;
    *h = (Handlers){ setup->target, outer, outer ? outer->depth + 1 : 1 };
    return h;
}

static inline void reach(Block *b, const Handlers *handlers, Block ***top)
{
    if (b->visited) return;
    b->visited = true;
    b->handlers = handlers;
    *(*top)++ = b;
}

/* Every instruction learns which handler it is under; POP_BLOCK has then done its work. A RESUME is told whether its yield
 * stands directly under the handler that turns StopIteration into RuntimeError. */
static int label_handlers(Graph *g)
{
    for (Block *b = g->entry; b; b = b->next)
        for (int i = 0; i < b->used; i++)
            if (opcode_is_block_push(b->nodes[i].opcode)) b->nodes[i].target->is_handler = true;
    Block **stack = block_stack(g), **top = stack;
    if (!stack) return -1;
    reach(g->entry, NULL, &top);
    while (top > stack) {
        Block *b = *--top;
        const Handlers *h = b->handlers;
        int yield_depth = -1;
        for (int i = 0; i < b->used; i++) {
            Node *in = &b->nodes[i];
            in->except = h ? h->block : NULL;
            if (opcode_is_block_push(in->opcode)) {
                in->except = NULL;
                reach(in->target, h, &top);
                if (!(h = handlers_push(g, h, in))) return -1;
            }
            else if (in->opcode == POP_BLOCK) {
                if (h) h = h->outer;
                node_clear(in);
                in->except = NULL;
            }
            else if (is_jump(in->opcode)) reach(in->target, h, &top);
            else if (in->opcode == YIELD_VALUE) yield_depth = h ? h->depth : 0;
            else if (in->opcode == RETURN_GENERATOR) in->except = NULL;
            else if (in->opcode == RESUME && in->oparg != RESUME_AT_FUNC_START) {
                if (yield_depth == 1) in->oparg |= RESUME_DEPTH1;
                yield_depth = -1;
            }
        }
        if (b->next && block_falls_through(b)) reach(b->next, h, &top);
    }
    return 0;
}

/* ---- what can be removed ------------------------------------------------------------------------------------------------ */

/* Counts predecessors, and empties blocks that cannot be reached. */
static int remove_unreachable(Graph *g)
{
    Block **stack = block_stack(g), **top = stack;
    if (!stack) return -1;
    for (Block *b = g->entry; b; b = b->next) b->predecessors = 0;
    g->entry->predecessors = 1;
    g->entry->visited = true;
    *top++ = g->entry;
    while (top > stack) {
        Block *b = *--top;
        if (b->next && block_falls_through(b)) {
            if (!b->next->visited) {
                b->next->visited = true;
                *top++ = b->next;
            }
            b->next->predecessors++;
        }
        for (int i = 0; i < b->used; i++) {
            if (!opcode_has_target(b->nodes[i].opcode)) continue;
            Block *target = b->nodes[i].target;
            if (!target->visited) {
                target->visited = true;
                *top++ = target;
            }
            target->predecessors++;
        }
    }
    for (Block *b = g->entry; b; b = b->next)
        if (!b->predecessors) {
            b->used = 0;
            b->is_handler = false;
        }
    return 0;
}

/* The place of the first instruction behind b that counts. */
static int following_line(Block *b)
{
    Block *next = block_nonempty(b->next);
    if (!next) return NO_LINE;
    for (int i = 0; i < next->used; i++)
        if (next->nodes[i].opcode != NOP || next->nodes[i].loc.lineno != NO_LINE) return next->nodes[i].loc.lineno;
    return NO_LINE;
}

/* A NOP may go when it has no line, or a neighbour has the same line. The debugger stops at the others. */
static int remove_nops(Block *b)
{
    int kept = 0, previous_line = -1;
    for (int i = 0; i < b->used; i++) {
        Node *in = &b->nodes[i];
        int line = in->loc.lineno;
        if (in->opcode == NOP) {
            if (line == NO_LINE || line == previous_line) continue;
            if (i < b->used - 1) {
                int next_line = in[1].loc.lineno;
                if (next_line == line) continue;
                if (next_line == NO_LINE) {
                    in[1].loc = in->loc;
                    continue;
                }
            }
            else if (block_nonempty(b->next) && line == following_line(b)) continue;
        }
        if (kept != i) b->nodes[kept] = *in;
        kept++;
        previous_line = line;
    }
    int removed = b->used - kept;
    b->used = kept;
    return removed;
}

int graph_remove_nops(Graph *g)
{
    int removed = 0;
    for (Block *b = g->entry; b; b = b->next) removed += remove_nops(b);
    return removed;
}

/* A jump to where the code goes anyway. */
static int remove_jumps(Graph *g)
{
    int removed = 0;
    for (Block *b = g->entry; b; b = b->next) {
        Node *last = block_last(b);
        if (!last || !is_unconditional(last->opcode)) continue;
        Block *target = block_nonempty(last->target);
        if (!target) {
            PyErr_SetString(PyExc_SystemError, "jump target is NULL");
            return -1;
        }
        if (target != block_nonempty(b->next)) continue;
        node_clear(last);
        removed++;
    }
    return removed;
}

static int remove_nops_and_jumps(Graph *g)
{
    for (;;) {
        int nops = graph_remove_nops(g), jumps = remove_jumps(g);
        if (jumps < 0) return -1;
        if (nops + jumps == 0) return 0;
    }
}

/* Values that are loaded to be dropped at once. */
static void remove_nops_and_pairs(Graph *g)
{
    for (bool again = true; again;) {
        Node *previous, *in = NULL;
        again = false;
        for (Block *b = g->entry; b; b = b->next) {
            remove_nops(b);
            if (b->labelled) in = NULL;                /* who knows what ran before */
            for (int i = 0; i < b->used; i++) {
                previous = in;
                in = &b->nodes[i];
                if (in->opcode != POP_TOP || !previous) continue;
                if (previous->opcode != LOAD_CONST && !(previous->opcode == COPY && previous->oparg == 1)) continue;
                node_clear(previous);
                node_clear(in);
                again = true;
            }
            if ((in && is_jump(in->opcode)) || !block_falls_through(b)) in = NULL;
        }
    }
}

/* ---- lines ---------------------------------------------------------------------------------------------------------- */

static bool block_has_no_line(const Block *b)
{
    for (int i = 0; i < b->used; i++)
        if (b->nodes[i].loc.lineno >= 0) return false;
    return true;
}

/* A jump to a short exit, or to code without a line that goes elsewhere, is replaced by that code. */
static int inline_target(Graph *g, Block *b)
{
    Node *last = block_last(b);
    if (!last || !is_unconditional(last->opcode)) return 0;
    Block *target = last->target;
    bool short_exit = block_exits_scope(target) && target->used <= MAX_COPIED_EXIT;
    bool lineless = block_has_no_line(target) && !block_falls_through(target);
    if (!short_exit && !lineless) return 0;
    int removed = last->opcode;
    node_clear(last);
    TRY(block_append(g, b, target));
    if (lineless) {
        last = block_last(b);
        if (is_unconditional(last->opcode) && removed == JUMP) last->opcode = JUMP;   /* stays interruptible */
    }
    target->predecessors--;
    return 1;
}

static int inline_targets(Graph *g)
{
    for (bool again = true; again;) {
        again = false;
        for (Block *b = g->entry; b; b = b->next) {
            int inlined = inline_target(g, b);
            if (inlined < 0) return -1;
            again |= inlined;
        }
    }
    return 0;
}

static bool needs_line(const Block *b)
{
    bool checks = block_exits_scope(b);
    for (int i = 0; !checks && i < b->used; i++) checks = opcode_info[b->nodes[i].opcode].traits & T_EVAL_BREAK;
    return checks && block_has_no_line(b);
}

/* Exits without a line get one of their own for each place that leads to them: a traceback shows it. */
static int duplicate_exits(Graph *g)
{
    for (Block *b = g->entry; b; b = b->next) {
        Node *last = block_last(b);
        if (!last || !is_jump(last->opcode)) continue;
        Block *target = block_nonempty(last->target);
        if (!target || !needs_line(target) || target->predecessors <= 1) continue;
        Block *copy = block_new(g);
        if (!copy || block_append(g, copy, target) < 0) return -1;
        copy->nodes[0].loc = last->loc;
        last->target = copy;
        copy->predecessors = 1;
        copy->labelled = true;
        copy->next = target->next;
        target->next = copy;
        target->predecessors--;
    }
    for (Block *b = g->entry; b; b = b->next)
        if (b->used && b->next && block_falls_through(b) && b->next->used && needs_line(b->next)) b->next->nodes[0].loc = block_last(b)->loc;
    return 0;
}

static void propagate_lines(Graph *g)
{
    for (Block *b = g->entry; b; b = b->next) {
        Node *last = block_last(b);
        if (!last) continue;
        Location previous = NO_LOCATION;
        for (int i = 0; i < b->used; i++) {
            if (b->nodes[i].loc.lineno == NO_LINE) b->nodes[i].loc = previous;
            else previous = b->nodes[i].loc;
        }
        if (b->next && block_falls_through(b) && b->next->predecessors == 1 && b->next->used &&
            b->next->nodes[0].loc.lineno == NO_LINE)
            b->next->nodes[0].loc = previous;
        if (is_jump(last->opcode)) {
            Block *target = last->target;
            if (target->predecessors == 1 && target->used && target->nodes[0].loc.lineno == NO_LINE)
                target->nodes[0].loc = previous;
        }
    }
}

static int resolve_lines(Graph *g)
{
    TRY(duplicate_exits(g));
    propagate_lines(g);
    return 0;
}

/* ---- constants -------------------------------------------------------------------------------------------------------- */

/* Drops constants that nothing loads any more. The first one stays: it may be a docstring. */
static int remove_unused_consts(Graph *g)
{
    CodeMeta *meta = g->meta;
    int n = meta->consts_count, kept = 0;
    if (!n) return 0;
    int *number = pool_zalloc(&g->be->pool, (size_t)n * sizeof *number);
    if (!number) return -1;
    number[0] = 1;
    for (Block *b = g->entry; b; b = b->next)
        for (int i = 0; i < b->used; i++)
            if (opcode_has_const(b->nodes[i].opcode)) number[b->nodes[i].oparg] = 1;
    for (int i = 0; i < n; i++) {
        if (!number[i]) continue;
        meta->consts[kept] = meta->consts[i];
        number[i] = kept++;
    }
    if (kept == n) return 0;
    meta->consts_count = kept;
    for (Block *b = g->entry; b; b = b->next)
        for (int i = 0; i < b->used; i++)
            if (opcode_has_const(b->nodes[i].opcode)) b->nodes[i].oparg = number[b->nodes[i].oparg];
    return 0;
}

/* ---- unbound locals ------------------------------------------------------------------------------------------------------ */

static inline void spread_unsafe(Block *b, uint64_t unsafe, Block ***top)
{
    if ((b->unsafe_locals | unsafe) == b->unsafe_locals) return;
    b->unsafe_locals |= unsafe;
    if (b->visited) return;
    b->visited = true;
    *(*top)++ = b;
}

/* Marks loads of locals that may be unbound, and hands on what is known at the end of the block. */
static void scan_locals(Block *b, Block ***top)
{
    uint64_t unsafe = b->unsafe_locals;
    for (int i = 0; i < b->used; i++) {
        Node *in = &b->nodes[i];
        if (in->except) spread_unsafe(in->except, unsafe, top);
        if (in->oparg >= TRACKED_LOCALS || in->oparg < 0) continue;
        uint64_t bit = (uint64_t)1 << in->oparg;
        switch (in->opcode) {
        case DELETE_FAST:
        case LOAD_FAST_AND_CLEAR:
        case STORE_FAST_MAYBE_NULL:
            unsafe |= bit;
            break;
        case LOAD_FAST:
            if (unsafe & bit) in->opcode = LOAD_FAST_CHECK;
            FALLTHROUGH;
        case STORE_FAST:
        case LOAD_FAST_CHECK:                          /* once it did not raise, the local is bound */
            unsafe &= ~bit;
            break;
        }
    }
    if (b->next && block_falls_through(b)) spread_unsafe(b->next, unsafe, top);
    Node *last = block_last(b);
    if (last && is_jump(last->opcode)) spread_unsafe(last->target, unsafe, top);
}

/* Locals from the 65th on are followed inside a block only, so that many locals cost no more than linear time. */
static int scan_many_locals(Graph *g, int nlocals)
{
    int *bound_in = pool_zalloc(&g->be->pool, (size_t)(nlocals - TRACKED_LOCALS) * sizeof *bound_in);
    if (!bound_in) return -1;
    int number = 0;
    for (Block *b = g->entry; b; b = b->next) {
        number++;
        for (int i = 0; i < b->used; i++) {
            Node *in = &b->nodes[i];
            int at = in->oparg - TRACKED_LOCALS;
            if (at < 0 || at >= nlocals - TRACKED_LOCALS) continue;
            switch (in->opcode) {
            case DELETE_FAST:
            case LOAD_FAST_AND_CLEAR:
            case STORE_FAST_MAYBE_NULL:
                bound_in[at] = number - 1;
                break;
            case STORE_FAST:
                bound_in[at] = number;
                break;
            case LOAD_FAST:
                if (bound_in[at] != number) in->opcode = LOAD_FAST_CHECK;
                bound_in[at] = number;
                break;
            }
        }
    }
    return 0;
}

static int check_unbound_locals(Graph *g, int nlocals, int nparams)
{
    if (nlocals == 0) return 0;
    if (nlocals > TRACKED_LOCALS) {
        TRY(scan_many_locals(g, nlocals));
        nlocals = TRACKED_LOCALS;
    }
    Block **stack = block_stack(g), **top = stack;
    if (!stack) return -1;
    uint64_t unbound = 0;
    for (int i = nparams; i < nlocals; i++) unbound |= (uint64_t)1 << i;
    spread_unsafe(g->entry, unbound, &top);
    for (Block *b = g->entry; b; b = b->next) scan_locals(b, &top);
    while (top > stack) {
        Block *b = *--top;
        b->visited = false;
        scan_locals(b, &top);
    }
    return 0;
}

/* ---- cold code ------------------------------------------------------------------------------------------------------- */

static int mark_warm(Graph *g)
{
    Block **stack = block_stack(g), **top = stack;
    if (!stack) return -1;
    *top++ = g->entry;
    g->entry->visited = true;
    while (top > stack) {
        Block *b = *--top;
        b->warm = true;
        if (b->next && block_falls_through(b) && !b->next->visited) {
            b->next->visited = true;
            *top++ = b->next;
        }
        for (int i = 0; i < b->used; i++) {
            if (!is_jump(b->nodes[i].opcode) || b->nodes[i].target->visited) continue;
            b->nodes[i].target->visited = true;
            *top++ = b->nodes[i].target;
        }
    }
    return 0;
}

/* What only handlers lead to. */
static int mark_cold(Graph *g)
{
    TRY(mark_warm(g));
    Block **stack = block_stack(g), **top = stack;
    if (!stack) return -1;
    for (Block *b = g->entry; b; b = b->next)
        if (b->is_handler && !b->warm) {
            b->visited = true;
            *top++ = b;
        }
    while (top > stack) {
        Block *b = *--top;
        b->cold = true;
        if (b->next && block_falls_through(b) && !b->next->warm && !b->next->visited) {
            b->next->visited = true;
            *top++ = b->next;
        }
        for (int i = 0; i < b->used; i++) {
            if (!is_jump(b->nodes[i].opcode)) continue;
            Block *target = b->nodes[i].target;
            if (target->warm || target->visited) continue;
            target->visited = true;
            *top++ = target;
        }
    }
    return 0;
}

static int add_explicit_jumps(Graph *g)
{
    for (Block *b = g->entry; b; b = b->next) {
        if (!b->cold || !block_falls_through(b) || !b->next || !b->next->warm) continue;
        Block *bridge = block_new(g);
        if (!bridge) return -1;
        TRY(block_add(g, bridge, (Node){ JUMP_NO_INTERRUPT, 0, NO_LOCATION, b->next, NULL }));
        b->next->labelled = true;
        bridge->cold = true;
        bridge->predecessors = 1;
        bridge->next = b->next;
        b->next = bridge;
    }
    return 0;
}

static int move_cold_to_end(Graph *g)
{
    if (!g->entry->next) return 0;
    TRY(mark_cold(g));
    TRY(add_explicit_jumps(g));
    Block *warm_last = g->entry, *cold = NULL, **cold_end = &cold;
    for (Block *b = g->entry->next; b; b = b->next) {
        if (b->cold) {
            *cold_end = b;
            cold_end = &b->next;
        }
        else {
            warm_last->next = b;
            warm_last = b;
        }
    }
    *cold_end = NULL;
    warm_last->next = cold;
    return cold ? remove_nops_and_jumps(g) : 0;
}

/* ---- all optimisations -------------------------------------------------------------------------------------------------- */

static int optimize_graph(Graph *g)
{
    TRY(inline_targets(g));
    TRY(remove_unreachable(g));
    TRY(resolve_lines(g));
    for (Block *b = g->entry; b; b = b->next) TRY(graph_optimize_block(g, b));
    remove_nops_and_pairs(g);
    TRY(remove_unreachable(g));
    return remove_nops_and_jumps(g);
}

static int graph_build_and_optimize(Graph *g, InstrList *list, int nlocals, int nparams)
{
    TRY(graph_from_list(g, list));
    TRY(label_handlers(g));
    TRY(optimize_graph(g));
    TRY(remove_unused_consts(g));
    TRY(check_unbound_locals(g, nlocals, nparams));
    TRY(graph_superinstructions(g));
    TRY(move_cold_to_end(g));
    return resolve_lines(g);
}

/* ---- stack depth ------------------------------------------------------------------------------------------------------- */

static int push_depth(Block *b, int depth, Block ***top)
{
    if (b->start_depth >= 0 && b->start_depth != depth) {
        PyErr_Format(PyExc_ValueError, "Invalid CFG, inconsistent stackdepth");
        return -1;
    }
    if (b->start_depth < depth && b->start_depth < 100) {
        b->start_depth = depth;
        *(*top)++ = b;
    }
    return 0;
}

static int stack_depth(Graph *g)
{
    Block **stack = block_stack(g), **top = stack;
    if (!stack) return -1;
    for (Block *b = g->entry; b; b = b->next) b->start_depth = INT_MIN;
    int deepest = 0;
    TRY(push_depth(g->entry, 0, &top));
    while (top > stack) {
        Block *b = *--top, *next = b->next;
        int depth = b->start_depth;
        for (int i = 0; i < b->used; i++) {
            Node *in = &b->nodes[i];
            int effect = opcode_stack_effect(in->opcode, in->oparg, 0);
            if (effect == STACK_EFFECT_INVALID) {
                PyErr_Format(PyExc_SystemError, "Invalid stack effect for opcode=%d, arg=%i", in->opcode, in->oparg);
                return -1;
            }
            int after = depth + effect;
            if (after < 0) {
                PyErr_Format(PyExc_ValueError, "Invalid CFG, stack underflow at line %d", in->loc.lineno);
                return -1;
            }
            if (after > deepest) deepest = after;
            if (opcode_has_target(in->opcode)) {
                int there = depth + opcode_stack_effect(in->opcode, in->oparg, 1);
                if (there > deepest) deepest = there;
                TRY(push_depth(in->target, there, &top));
            }
            depth = after;
            if (is_scope_exit(in->opcode) || is_unconditional(in->opcode)) {
                next = NULL;
                break;
            }
        }
        if (next) TRY(push_depth(next, depth, &top));
    }
    return deepest;
}

/* ---- local slots ------------------------------------------------------------------------------------------------------- */

/* Instructions that begin every run: make cells, take the closure, become a generator. */
static int insert_prefix(Graph *g, const int *slots, int ncells, int nfrees, int code_flags)
{
    CodeMeta *meta = g->meta;
    if (code_flags & (CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR)) {
        Location loc = { meta->firstlineno, -1, meta->firstlineno, -1 };
        TRY(block_insert(g, g->entry, 0, (Node){ RETURN_GENERATOR, 0, loc, NULL, NULL }));
        TRY(block_insert(g, g->entry, 1, (Node){ POP_TOP, 0, loc, NULL, NULL }));
    }
    if (ncells) {                                      /* in the order of slots: arguments first */
        int slot_count = meta->varnames.count + ncells, made = 0;
        int *cell_at = pool_zalloc(&g->be->pool, (size_t)slot_count * sizeof *cell_at);
        if (!cell_at) return -1;
        for (int i = 0; i < ncells; i++) cell_at[slots[i]] = i + 1;
        for (int slot = 0; slot < slot_count; slot++)
            if (cell_at[slot]) TRY(block_insert(g, g->entry, made++, (Node){ MAKE_CELL, cell_at[slot] - 1, NO_LOCATION, NULL, NULL }));
    }
    if (nfrees) TRY(block_insert(g, g->entry, 0, (Node){ COPY_FREE_VARS, nfrees, NO_LOCATION, NULL, NULL }));
    return 0;
}

/* Cells and free variables are numbered behind the locals, but a cell that is a parameter uses the parameter's slot.
 * Returns the number of slots. */
static int assign_slots(Graph *g, int code_flags)
{
    CodeMeta *meta = g->meta;
    int nlocals = meta->varnames.count, ncells = meta->cellvars.count, nfrees = meta->freevars.count, dropped = 0;
    int *slots = pool_alloc(&g->be->pool, (size_t)(ncells + nfrees + 1) * sizeof *slots);
    if (!slots) return -1;
    for (int i = 0; i < ncells + nfrees; i++) slots[i] = nlocals + i;
    for (int i = 0; i < ncells; i++) {
        int local = namemap_find(&meta->varnames, meta->cellvars.keys[i]);
        if (local >= 0) slots[meta->cellvars.values[i]] = meta->varnames.values[local];
    }
    TRY(insert_prefix(g, slots, ncells, nfrees, code_flags));
    for (int i = 0; i < ncells + nfrees; i++) {
        if (slots[i] == nlocals + i) slots[i] -= dropped;
        else dropped++;
    }
    for (Block *b = g->entry; b; b = b->next)
        for (int i = 0; i < b->used; i++) {
            Node *in = &b->nodes[i];
            if (!opcode_has_cell(in->opcode) && in->opcode != LOAD_CLOSURE) continue;
            if (in->oparg < 0 || in->oparg >= ncells + nfrees) {
                PyErr_SetString(PyExc_ValueError, "cell variable index out of range");
                return -1;
            }
            in->oparg = slots[in->oparg];
        }
    return nlocals + ncells + nfrees - dropped;
}

static void convert_pseudo(Graph *g)
{
    for (Block *b = g->entry; b; b = b->next)
        for (int i = 0; i < b->used; i++) {
            Node *in = &b->nodes[i];
            if (opcode_is_block_push(in->opcode)) node_clear(in);
            else if (in->opcode == LOAD_CLOSURE) in->opcode = LOAD_FAST;
            else if (in->opcode == STORE_FAST_MAYBE_NULL) in->opcode = STORE_FAST;
        }
    graph_remove_nops(g);
}

/* Conditional jumps only go forward: one that goes back is inverted to jump over an unconditional one. */
static int normalize_jumps(Graph *g)
{
    for (Block *b = g->entry; b; b = b->next) b->visited = false;
    for (Block *b = g->entry; b; b = b->next) {
        b->visited = true;
        Node *last = block_last(b);
        if (!last || !is_conditional(last->opcode) || !last->target->visited) continue;
        Block *back = block_new(g), *target = last->target;
        if (!back) return -1;
        TRY(block_add(g, back, (Node){ JUMP, 0, last->loc, target, NULL }));
        switch (last->opcode) {
        case POP_JUMP_IF_FALSE:    last->opcode = POP_JUMP_IF_TRUE; break;
        case POP_JUMP_IF_TRUE:     last->opcode = POP_JUMP_IF_FALSE; break;
        case POP_JUMP_IF_NONE:     last->opcode = POP_JUMP_IF_NOT_NONE; break;
        case POP_JUMP_IF_NOT_NONE: last->opcode = POP_JUMP_IF_NONE; break;
        }
        last->target = b->next;
        back->visited = true;
        back->cold = b->cold;
        back->next = b->next;
        b->next = back;
    }
    return 0;
}

/* ---- to the list --------------------------------------------------------------------------------------------------------- */

static int graph_to_list(Graph *g, OutList *out)
{
    int n = 0;
    for (Block *b = g->entry; b; b = b->next) {
        b->number = n;
        n += b->used;
    }
    out->items = pool_alloc(&g->be->pool, (size_t)(n ? n : 1) * sizeof *out->items);
    if (!out->items) return -1;
    out->used = n;
    OutInstr *o = out->items;
    for (Block *b = g->entry; b; b = b->next)
        for (int i = 0; i < b->used; i++, o++) {
            Node *in = &b->nodes[i];
            *o = (OutInstr){ .opcode = in->opcode, .oparg = in->oparg, .loc = in->loc, .handler = -1 };
            if (opcode_has_target(in->opcode)) o->oparg = in->target->number;
            if (!in->except) continue;
            o->handler = in->except->number;
            o->handler_depth = in->except->start_depth;
            o->preserve_lasti = in->except->preserve_lasti;
        }
    return 0;
}

static int graph_finish(Graph *g, int code_flags, int *stackdepth, int *nlocalsplus, OutList *out)
{
    if ((*stackdepth = stack_depth(g)) < 0) return -1;
    if ((*nlocalsplus = assign_slots(g, code_flags)) < 0) return -1;
    convert_pseudo(g);
    TRY(normalize_jumps(g));
    return graph_to_list(g, out);
}

int flowgraph_optimize(Backend *be, InstrList *list, CodeMeta *meta, int code_flags, int nparams, int *stackdepth,
                       int *nlocalsplus, OutList *out)
{
    Graph g = { be, meta, NULL, 0 };
    TRY(graph_build_and_optimize(&g, list, meta->varnames.count, nparams));
    return graph_finish(&g, code_flags, stackdepth, nlocalsplus, out);
}

int flowgraph_optimize_only(Backend *be, InstrList *list, CodeMeta *meta, int nlocals, int nparams, OutList *out)
{
    Graph g = { be, meta, NULL, 0 };
    TRY(graph_build_and_optimize(&g, list, nlocals, nparams));
    return graph_to_list(&g, out);
}

int flowgraph_finish_only(Backend *be, InstrList *list, CodeMeta *meta, int code_flags, int *stackdepth, int *nlocalsplus,
                          OutList *out)
{
    Graph g = { be, meta, NULL, 0 };
    TRY(graph_from_list(&g, list));
    TRY(label_handlers(&g));
    return graph_finish(&g, code_flags, stackdepth, nlocalsplus, out);
}
