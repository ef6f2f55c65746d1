/* The control-flow graph of one code unit. Blocks are a list in the order of the final code; a block ends with its first jump or
 * exit from the scope, and may fall through to the next one. Memory is the Backend's pool. */
#ifndef TAIPAN_FLOWGRAPH_PRIVATE_H
#define TAIPAN_FLOWGRAPH_PRIVATE_H

#include "compile/compile_private.h"

typedef struct Block Block;

typedef struct Node {                                  /* an instruction in a block */
    int opcode, oparg;
    Location loc;
    Block *target;                                     /* of jumps and block setups */
    Block *except;                                     /* where its exceptions go, or NULL */
} Node;

/* Handlers around a point of the code, innermost first. Shared: lists never change. */
typedef struct Handlers { Block *block; const struct Handlers *outer; int depth; } Handlers;

struct Block {
    Node *nodes;
    int used, capacity;
    Block *next;
    int predecessors;
    int start_depth;
    int number;                                        /* index of its first instruction, at the end */
    uint64_t unsafe_locals;                            /* bit i: local i may be unbound on entry */
    const Handlers *handlers;
    bool labelled;                                     /* something jumps, or once jumped, here */
    bool visited, is_handler, preserve_lasti, cold, warm;
};

typedef struct Graph {
    Backend *be;
    CodeMeta *meta;
    Block *entry;
    int block_count;
} Graph;

Block *block_new(Graph *g);
int block_add(Graph *g, Block *b, Node node);
int block_insert(Graph *g, Block *b, int at, Node node);
int block_append(Graph *g, Block *b, const Block *from);
Block **block_stack(Graph *g);                         /* room for every block once */

static inline bool is_jump(int op)            { return opcode_has_jump(op); }
static inline bool is_unconditional(int op)   { return op == JUMP || op == JUMP_NO_INTERRUPT || op == JUMP_FORWARD || op == JUMP_BACKWARD || op == JUMP_BACKWARD_NO_INTERRUPT; }
static inline bool is_conditional(int op)     { return op >= POP_JUMP_IF_FALSE && op <= POP_JUMP_IF_TRUE; }
static inline bool is_scope_exit(int op)      { return op == RETURN_VALUE || op == RETURN_CONST || op == RAISE_VARARGS || op == RERAISE; }
static inline bool is_terminator(int op)      { return is_jump(op) || is_scope_exit(op); }

static inline Node *block_last(const Block *b) { return b->used ? &b->nodes[b->used - 1] : NULL; }
static inline bool block_falls_through(const Block *b)
{
    const Node *last = block_last(b);
    return !last || !(is_scope_exit(last->opcode) || is_unconditional(last->opcode));
}
static inline bool block_exits_scope(const Block *b)
{
    const Node *last = block_last(b);
    return last && is_scope_exit(last->opcode);
}
static inline Block *block_nonempty(Block *b)
{
    while (b && b->used == 0) b = b->next;
    return b;
}
static inline void node_set(Node *n, int opcode, int oparg) { n->opcode = opcode; n->oparg = oparg; n->target = NULL; }
static inline void node_clear(Node *n) { node_set(n, NOP, 0); }

_Static_assert(POP_JUMP_IF_NONE == POP_JUMP_IF_FALSE + 1 && POP_JUMP_IF_NOT_NONE == POP_JUMP_IF_FALSE + 2 &&
               POP_JUMP_IF_TRUE == POP_JUMP_IF_FALSE + 3, "is_conditional() is a range");

/* flowgraph_fold.c: rewriting inside a block */
int graph_optimize_block(Graph *g, Block *b);
int graph_superinstructions(Graph *g);

/* flowgraph.c */
int graph_remove_nops(Graph *g);                       /* how many went away */

#endif
