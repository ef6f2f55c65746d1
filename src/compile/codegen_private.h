/* Code generation: what its files share. The tree is walked once; each function, class, comprehension or type parameter scope is a
 * Unit with an instruction list, which the flow graph and the assembler turn into a code object when the unit ends.
 *
 * All functions return 0, or -1 with an exception. Values on the operand stack are described as [below, top]. */
#ifndef TAIPAN_CODEGEN_PRIVATE_H
#define TAIPAN_CODEGEN_PRIVATE_H

#include "compile/compile_private.h"

#define TRY(call) do { if (UNLIKELY((call) < 0)) return -1; } while (0)

enum { STACK_USE_GUIDELINE = 30 };                     /* displays and calls with more items are built step by step */

typedef enum {
    UNIT_MODULE, UNIT_CLASS, UNIT_FUNCTION, UNIT_ASYNC_FUNCTION, UNIT_LAMBDA, UNIT_COMPREHENSION, UNIT_TYPE_PARAMS,
} UnitKind;

typedef enum {                                         /* what break, continue and return have to leave */
    BLOCK_WHILE, BLOCK_FOR, BLOCK_TRY, BLOCK_FINALLY_TRY, BLOCK_FINALLY_END, BLOCK_WITH, BLOCK_ASYNC_WITH,
    BLOCK_HANDLER_CLEANUP, BLOCK_POP_VALUE, BLOCK_HANDLER, BLOCK_GROUP_HANDLER, BLOCK_ASYNC_COMPREHENSION, BLOCK_STOP_ITERATION,
} BlockKind;

typedef struct OpenBlock {
    BlockKind kind;
    Label start, exit;
    Location loc;
    void *datum;                                       /* the finally suite, or the name an except clause binds */
} OpenBlock;

typedef struct Unit {
    struct Unit *parent;
    Scope *scope;
    UnitKind kind;
    PyObject *private;                                 /* class for name mangling, or NULL */
    InstrList instrs;
    CodeMeta meta;
    NameMap static_attributes;                         /* of a class: names stored through `self` */
    int inlined_comprehensions;                        /* how many are being compiled, one in the other */
    int open_count;
    OpenBlock open[CO_MAXBLOCKS];
    PyObject *nested;                                  /* instruction sequences of inner units, when they are asked for */
} Unit;

typedef struct Compiler {
    Arena *arena;
    PyObject *filename;
    SymbolTable st;
    Backend backend;
    ConstCache consts;
    Unit *u;
    int flags;                                         /* PyCF_* and CO_FUTURE_* */
    int optimize;
    int depth;                                         /* of units */
    bool interactive, keep_sequences;
    Location last_future;                              /* the last valid `from __future__ import` */
} Compiler;

int compile_default_level(void);                       /* -O of this interpreter */

/* ---- codegen.c: units, instructions, names ---- */

int unit_enter(Compiler *c, PyObject *name, UnitKind kind, const void *key, int first_line, PyObject *private);
void unit_exit(Compiler *c);
/* The code of the current unit, which is then left. implicit_none: falling off the end returns None. OWNED, NULL on error. */
PyObject *unit_finish(Compiler *c, bool implicit_none);

int emit(Compiler *c, Location loc, int opcode);
int emit_arg(Compiler *c, Location loc, int opcode, Py_ssize_t arg);
int emit_jump(Compiler *c, Location loc, int opcode, Label target);
int emit_const(Compiler *c, Location loc, PyObject *value);          /* borrows */
int emit_const_new(Compiler *c, Location loc, PyObject *value);      /* STEALS, also on failure; NULL: -1 */
int emit_const_int(Compiler *c, Location loc, Py_ssize_t value);
int emit_named(Compiler *c, Location loc, int opcode, PyObject *name);         /* index into names, mangled; LOAD_METHOD and its like */
int emit_named_plain(Compiler *c, Location loc, int opcode, PyObject *name);   /* the same, not mangled */
int emit_local(Compiler *c, Location loc, int opcode, PyObject *name);         /* index of a fast local */
int emit_variable(Compiler *c, Location loc, PyObject *name, expr_context_ty ctx);
int emit_yield_from(Compiler *c, Location loc, bool await);          /* [iterator, None] -> [result] */
int emit_await(Compiler *c, Location loc, int why);                  /* [awaitable] -> [result] */
int emit_yield(Compiler *c, Location loc);
int emit_label(Compiler *c, Label *label);                           /* makes a new label; does not place it */
static inline int place(Compiler *c, Label label) { return instrs_use_label(&c->u->instrs, label); }
int wrap_stop_iteration(Compiler *c);                                /* StopIteration that leaves the unit becomes RuntimeError */
int unit_const_first(Compiler *c, PyObject *value);                  /* borrows; becomes constant 0, not a docstring */
PyObject *unit_mangle(Compiler *c, PyObject *name);                  /* BORROWED */
PyObject *compiler_intern(Compiler *c, const char *text);            /* BORROWED from the arena */
PyObject *compiler_own_name(Compiler *c, PyObject *name);            /* STEALS; BORROWED, interned */
int refuse_debug(Compiler *c, Location loc, PyObject *name, expr_context_ty ctx);      /* -1 for __debug__ */
PyObject *names_tuple(PyObject *const *names, Py_ssize_t count);     /* OWNED */
bool top_level_await(const Compiler *c);

#define NEW_LABEL(c, name) Label name; TRY(emit_label((c), &name))
#define ERROR_AT(c, loc, ...) compile_error_at((c)->filename, (loc), __VA_ARGS__)

/* ---- seams.c ---- */

PyObject *seam_take_unit(Unit *u);                                   /* OWNED; the unit's instructions as an object */
/* (sequence, metadata), OWNED */
PyObject *compile_to_sequence(mod_ty tree, PyObject *filename, PyCompilerFlags *flags, int optimize, Arena *arena);

/* ---- codegen_stmt.c ---- */

int gen_stmt(Compiler *c, stmt_ty s);
int gen_stmts(Compiler *c, stmt_seq *seq);
int gen_body(Compiler *c, Location loc, stmt_seq *body);             /* of a module or class: docstring, annotations */

/* ---- codegen_try.c: blocks that are open, try, with ---- */

int open_block(Compiler *c, Location loc, BlockKind kind, Label start, Label exit, void *datum);
void close_block(Compiler *c);
int gen_return(Compiler *c, stmt_ty s);
int gen_break(Compiler *c, Location loc);
int gen_continue(Compiler *c, Location loc);
int gen_try(Compiler *c, stmt_ty s);                                 /* Try and TryStar */
int gen_with(Compiler *c, stmt_ty s, Py_ssize_t at, bool async);

/* ---- codegen_expr.c ---- */

int gen_expr(Compiler *c, expr_ty e);
int gen_exprs(Compiler *c, expr_seq *seq);
int gen_jump_if(Compiler *c, Location loc, expr_ty e, Label target, bool when);
int gen_slice(Compiler *c, expr_ty s);                               /* leaves 2 or 3 values; how many, or -1 */
bool is_two_element_slice(expr_ty s);
int emit_compare(Compiler *c, Location loc, cmpop_ty op);
int emit_binary(Compiler *c, Location loc, operator_ty op, bool inplace);
Location attribute_location(Location loc, expr_ty attribute);        /* where the name of the attribute stands */

/* ---- codegen_call.c: displays, unpacking, calls, f-strings ---- */

int gen_call(Compiler *c, expr_ty e);
/* [callable, self or NULL, `pushed` - ... arguments] -> [result]; injected: the name of one more positional argument, or NULL. */
int gen_call_arguments(Compiler *c, Location loc, Py_ssize_t pushed, expr_seq *args, PyObject *injected, keyword_seq *keywords);
int gen_super_attribute(Compiler *c, expr_ty attribute, bool method);    /* 1 when it was one, 0 when not */
int gen_display(Compiler *c, expr_ty e);                             /* List, Tuple, Set for loading */
int gen_dict(Compiler *c, expr_ty e);
int gen_unpack(Compiler *c, Location loc, expr_seq *targets);        /* assignment to a list or tuple */
int gen_joined_str(Compiler *c, expr_ty e);
int gen_formatted_value(Compiler *c, expr_ty e);

/* ---- codegen_comp.c ---- */

int gen_comprehension(Compiler *c, expr_ty e);

/* ---- codegen_def.c ---- */

int gen_function(Compiler *c, stmt_ty s);
int gen_lambda(Compiler *c, expr_ty e);
int gen_class(Compiler *c, stmt_ty s);
int gen_type_alias(Compiler *c, stmt_ty s);
int gen_annotation_text(Compiler *c, expr_ty annotation);            /* its source, for `from __future__ import annotations` */
int emit_closure(Compiler *c, Location loc, PyObject *code, int flags);      /* code: STOLEN, NULL: -1 */
int meaning_of(Compiler *c, PyObject *name);                         /* CELL_SCOPE, FREE_SCOPE ... in the current unit */

/* ---- codegen_match.c ---- */

int gen_match(Compiler *c, stmt_ty s);

#endif
