/* Code for try, except, except*, finally and with, and for leaving them: every block that break, continue or return has to
 * undo stands on the unit's stack of open blocks. Exception regions are opened by SETUP_* and closed by POP_BLOCK, which the
 * flow graph turns into the exception table. */
#include "compile/codegen_private.h"

/* ---- open blocks ---------------------------------------------------------------------------------------------------------- */

int open_block(Compiler *c, Location loc, BlockKind kind, Label start, Label exit, void *datum)
{
    Unit *u = c->u;
    if (u->open_count >= CO_MAXBLOCKS) return ERROR_AT(c, loc, "too many statically nested blocks");
    u->open[u->open_count++] = (OpenBlock){ kind, start, exit, loc, datum };
    return 0;
}

void close_block(Compiler *c) { c->u->open_count--; }

static int emit_exit_with_nones(Compiler *c, Location loc)
{
    for (int i = 0; i < 3; i++) TRY(emit_const(c, loc, Py_None));
    return emit_arg(c, loc, CALL, 2);
}

static int emit_reraise_outer(Compiler *c)             /* [.., previous, lasti, exc]: what a handler itself raised */
{
    TRY(emit_arg(c, NO_LOCATION, COPY, 3));
    TRY(emit(c, NO_LOCATION, POP_EXCEPT));
    return emit_arg(c, NO_LOCATION, RERAISE, 1);
}

static int emit_unbind(Compiler *c, Location loc, PyObject *name)      /* name = None; del name */
{
    TRY(emit_const(c, loc, Py_None));
    TRY(emit_variable(c, loc, name, Store));
    return emit_variable(c, loc, name, Del);
}

/* Undoes one block. keep: the value on top of the stack (of a return) must survive. *loc becomes "no place" once code of another
 * statement was inserted: the debugger should not jump back. */
static int unwind_block(Compiler *c, Location *loc, const OpenBlock *b, bool keep)
{
    switch (b->kind) {
    case BLOCK_FOR:
    case BLOCK_POP_VALUE:
        if (keep) TRY(emit_arg(c, *loc, SWAP, 2));
        return emit(c, *loc, POP_TOP);
    case BLOCK_TRY:
        return emit(c, *loc, POP_BLOCK);
    case BLOCK_FINALLY_TRY:
        TRY(emit(c, *loc, POP_BLOCK));
        if (keep) TRY(open_block(c, *loc, BLOCK_POP_VALUE, NO_LABEL, NO_LABEL, NULL));
        TRY(gen_stmts(c, b->datum));
        if (keep) close_block(c);
        *loc = NO_LOCATION;
        return 0;
    case BLOCK_FINALLY_END:
        if (keep) TRY(emit_arg(c, *loc, SWAP, 2));
        TRY(emit(c, *loc, POP_TOP));
        if (keep) TRY(emit_arg(c, *loc, SWAP, 2));
        TRY(emit(c, *loc, POP_BLOCK));
        return emit(c, *loc, POP_EXCEPT);
    case BLOCK_WITH:
    case BLOCK_ASYNC_WITH:
        *loc = b->loc;
        TRY(emit(c, *loc, POP_BLOCK));
        if (keep) TRY(emit_arg(c, *loc, SWAP, 2));
        TRY(emit_exit_with_nones(c, *loc));
        if (b->kind == BLOCK_ASYNC_WITH) TRY(emit_await(c, *loc, 2));
        TRY(emit(c, *loc, POP_TOP));
        *loc = NO_LOCATION;
        return 0;
    case BLOCK_HANDLER_CLEANUP:
        if (b->datum) TRY(emit(c, *loc, POP_BLOCK));
        if (keep) TRY(emit_arg(c, *loc, SWAP, 2));
        TRY(emit(c, *loc, POP_BLOCK));
        TRY(emit(c, *loc, POP_EXCEPT));
        return b->datum ? emit_unbind(c, *loc, b->datum) : 0;
    default:
        return 0;
    }
}

/* Undoes all blocks, or those inside the innermost loop, which is then put in *loop. While the code for leaving a block is made,
 * that block is closed. */
static int unwind_all(Compiler *c, Location *loc, bool keep, OpenBlock *loop)
{
    Unit *u = c->u;
    if (!u->open_count) return 0;
    OpenBlock top = u->open[u->open_count - 1];
    if (top.kind == BLOCK_GROUP_HANDLER)
        return ERROR_AT(c, *loc, "'break', 'continue' and 'return' cannot appear in an except* block");
    if (loop && (top.kind == BLOCK_WHILE || top.kind == BLOCK_FOR)) {
        *loop = top;
        return 0;
    }
    u->open_count--;
    TRY(unwind_block(c, loc, &top, keep));
    TRY(unwind_all(c, loc, keep, loop));
    u->open[u->open_count++] = top;
    return 0;
}

int gen_return(Compiler *c, stmt_ty s)
{
    Location loc = LOC(s);
    expr_ty value = s->v.Return.value;
    Scope *scope = c->u->scope;
    bool keep = value && value->kind != Constant_kind;
    if (!scope_is_function_like(scope)) return ERROR_AT(c, loc, "'return' outside function");
    if (value && scope->coroutine && scope->generator) return ERROR_AT(c, loc, "'return' with value in async generator");
    if (keep) TRY(gen_expr(c, value));
    else if (value) {
        loc = LOC(value);
        TRY(emit(c, loc, NOP));                        /* a line for the value */
    }
    if (!value || value->lineno != s->lineno) {
        loc = LOC(s);
        TRY(emit(c, loc, NOP));
    }
    TRY(unwind_all(c, &loc, keep, NULL));
    if (!keep) TRY(emit_const(c, loc, value ? value->v.Constant.value : Py_None));
    return emit(c, loc, RETURN_VALUE);
}

int gen_break(Compiler *c, Location loc)
{
    Location place_of_break = loc;
    OpenBlock loop = { .exit = NO_LABEL };
    TRY(emit(c, loc, NOP));
    TRY(unwind_all(c, &loc, false, &loop));
    if (loop.exit == NO_LABEL) return ERROR_AT(c, place_of_break, "'break' outside loop");
    TRY(unwind_block(c, &loc, &loop, false));
    return emit_jump(c, loc, JUMP, loop.exit);
}

int gen_continue(Compiler *c, Location loc)
{
    Location place_of_continue = loc;
    OpenBlock loop = { .exit = NO_LABEL };
    TRY(emit(c, loc, NOP));
    TRY(unwind_all(c, &loc, false, &loop));
    if (loop.exit == NO_LABEL) return ERROR_AT(c, place_of_continue, "'continue' not properly in loop");
    return emit_jump(c, loc, JUMP, loop.start);
}

/* ---- except ----------------------------------------------------------------------------------------------------------------- */

/* The suite of a handler that binds a name: the name is unbound however it ends. */
static int gen_named_handler(Compiler *c, excepthandler_ty h, Location loc, Label end)
{
    PyObject *name = h->v.ExceptHandler.name;
    NEW_LABEL(c, cleanup);
    NEW_LABEL(c, body);
    TRY(emit_variable(c, loc, name, Store));
    TRY(emit_jump(c, loc, SETUP_CLEANUP, cleanup));
    place(c, body);
    TRY(open_block(c, loc, BLOCK_HANDLER_CLEANUP, body, NO_LABEL, name));
    TRY(gen_stmts(c, h->v.ExceptHandler.body));
    close_block(c);
    TRY(emit(c, NO_LOCATION, POP_BLOCK));
    TRY(emit(c, NO_LOCATION, POP_BLOCK));
    TRY(emit(c, NO_LOCATION, POP_EXCEPT));
    TRY(emit_unbind(c, NO_LOCATION, name));
    TRY(emit_jump(c, NO_LOCATION, JUMP_NO_INTERRUPT, end));
    place(c, cleanup);
    TRY(emit_unbind(c, NO_LOCATION, name));
    return emit_arg(c, NO_LOCATION, RERAISE, 1);
}

static int gen_plain_handler(Compiler *c, excepthandler_ty h, Location loc, Label end)
{
    NEW_LABEL(c, body);
    TRY(emit(c, loc, POP_TOP));
    place(c, body);
    TRY(open_block(c, loc, BLOCK_HANDLER_CLEANUP, body, NO_LABEL, NULL));
    TRY(gen_stmts(c, h->v.ExceptHandler.body));
    close_block(c);
    TRY(emit(c, NO_LOCATION, POP_BLOCK));
    TRY(emit(c, NO_LOCATION, POP_EXCEPT));
    return emit_jump(c, NO_LOCATION, JUMP_NO_INTERRUPT, end);
}

static int gen_handlers(Compiler *c, excepthandler_seq *handlers, Label end)
{
    for (Py_ssize_t i = 0; i < seq_len(handlers); i++) {
        excepthandler_ty h = seq_get(handlers, i);
        Location loc = LOC(h);
        if (!h->v.ExceptHandler.type && i < seq_len(handlers) - 1) return ERROR_AT(c, loc, "default 'except:' must be last");
        NEW_LABEL(c, next);
        if (h->v.ExceptHandler.type) {
            TRY(gen_expr(c, h->v.ExceptHandler.type));
            TRY(emit(c, loc, CHECK_EXC_MATCH));
            TRY(emit_jump(c, loc, POP_JUMP_IF_FALSE, next));
        }
        TRY(h->v.ExceptHandler.name ? gen_named_handler(c, h, loc, end) : gen_plain_handler(c, h, loc, end));
        place(c, next);
    }
    return emit_arg(c, NO_LOCATION, RERAISE, 0);
}

static int gen_try_body(Compiler *c, stmt_ty s, Label except)
{
    Location loc = LOC(s);
    NEW_LABEL(c, body);
    TRY(emit_jump(c, loc, SETUP_FINALLY, except));
    place(c, body);
    TRY(open_block(c, loc, BLOCK_TRY, body, NO_LABEL, NULL));
    TRY(gen_stmts(c, s->v.Try.body));
    close_block(c);
    return emit(c, NO_LOCATION, POP_BLOCK);
}

static int gen_try_except(Compiler *c, stmt_ty s)
{
    NEW_LABEL(c, except);
    NEW_LABEL(c, end);
    NEW_LABEL(c, cleanup);
    TRY(gen_try_body(c, s, except));
    TRY(gen_stmts(c, s->v.Try.orelse));
    TRY(emit_jump(c, NO_LOCATION, JUMP_NO_INTERRUPT, end));
    place(c, except);
    TRY(emit_jump(c, NO_LOCATION, SETUP_CLEANUP, cleanup));
    TRY(emit(c, NO_LOCATION, PUSH_EXC_INFO));
    TRY(open_block(c, LOC(s), BLOCK_HANDLER, NO_LABEL, NO_LABEL, NULL));
    TRY(gen_handlers(c, s->v.Try.handlers, end));
    close_block(c);
    place(c, cleanup);
    TRY(emit_reraise_outer(c));
    return place(c, end);
}

/* ---- except* ------------------------------------------------------------------------------------------------------------------ */

/* One clause. Stack: [original group, list of exceptions raised or left over, rest of the group] */
static int gen_group_handler(Compiler *c, excepthandler_ty h, Label *failed)
{
    Location loc = LOC(h);
    PyObject *name = h->v.ExceptHandler.name;
    NEW_LABEL(c, except);
    NEW_LABEL(c, except_with_error);
    NEW_LABEL(c, no_match);
    NEW_LABEL(c, cleanup);
    NEW_LABEL(c, body);
    if (h->v.ExceptHandler.type) {
        TRY(gen_expr(c, h->v.ExceptHandler.type));
        TRY(emit(c, loc, CHECK_EG_MATCH));
        TRY(emit_arg(c, loc, COPY, 1));
        TRY(emit_jump(c, loc, POP_JUMP_IF_NONE, no_match));
    }
    TRY(name ? emit_variable(c, loc, name, Store) : emit(c, loc, POP_TOP));
    TRY(emit_jump(c, loc, SETUP_CLEANUP, cleanup));
    place(c, body);
    TRY(open_block(c, loc, BLOCK_HANDLER_CLEANUP, body, NO_LABEL, name));
    TRY(gen_stmts(c, h->v.ExceptHandler.body));
    close_block(c);
    TRY(emit(c, NO_LOCATION, POP_BLOCK));
    if (name) TRY(emit_unbind(c, NO_LOCATION, name));
    TRY(emit_jump(c, NO_LOCATION, JUMP_NO_INTERRUPT, except));
    place(c, cleanup);                                 /* the suite raised: remembered, and on to the next clause */
    if (name) TRY(emit_unbind(c, NO_LOCATION, name));
    TRY(emit_arg(c, NO_LOCATION, LIST_APPEND, 3));
    TRY(emit(c, NO_LOCATION, POP_TOP));
    TRY(emit_jump(c, NO_LOCATION, JUMP_NO_INTERRUPT, except_with_error));
    place(c, except);
    TRY(emit(c, NO_LOCATION, NOP));                    /* gets the line of what jumps here */
    TRY(emit_jump(c, NO_LOCATION, JUMP_NO_INTERRUPT, except_with_error));
    place(c, no_match);
    TRY(emit(c, loc, POP_TOP));
    *failed = except_with_error;
    return 0;
}

static int gen_group_handlers(Compiler *c, excepthandler_seq *handlers, Label reraise_star)
{
    Py_ssize_t n = seq_len(handlers);
    for (Py_ssize_t i = 0; i < n; i++) {
        excepthandler_ty h = seq_get(handlers, i);
        Label next;
        if (i == 0) {
            TRY(emit_arg(c, LOC(h), BUILD_LIST, 0));
            TRY(emit_arg(c, LOC(h), COPY, 2));
        }
        TRY(gen_group_handler(c, h, &next));
        place(c, next);
        if (i < n - 1) continue;
        TRY(emit_arg(c, NO_LOCATION, LIST_APPEND, 1));         /* what no clause took */
        TRY(emit_jump(c, NO_LOCATION, JUMP_NO_INTERRUPT, reraise_star));
    }
    return 0;
}

static int gen_try_star(Compiler *c, stmt_ty s)
{
    NEW_LABEL(c, except);
    NEW_LABEL(c, orelse);
    NEW_LABEL(c, end);
    NEW_LABEL(c, cleanup);
    NEW_LABEL(c, reraise_star);
    TRY(gen_try_body(c, s, except));
    TRY(emit_jump(c, NO_LOCATION, JUMP_NO_INTERRUPT, orelse));
    place(c, except);
    TRY(emit_jump(c, NO_LOCATION, SETUP_CLEANUP, cleanup));
    TRY(emit(c, NO_LOCATION, PUSH_EXC_INFO));
    TRY(open_block(c, LOC(s), BLOCK_GROUP_HANDLER, NO_LABEL, NO_LABEL, NULL));
    TRY(gen_group_handlers(c, s->v.TryStar.handlers, reraise_star));
    close_block(c);
    NEW_LABEL(c, reraise);
    place(c, reraise_star);
    TRY(emit_arg(c, NO_LOCATION, CALL_INTRINSIC_2, INTRINSIC_PREP_RERAISE_STAR));
    TRY(emit_arg(c, NO_LOCATION, COPY, 1));
    TRY(emit_jump(c, NO_LOCATION, POP_JUMP_IF_NOT_NONE, reraise));
    TRY(emit(c, NO_LOCATION, POP_TOP));                /* nothing is left */
    TRY(emit(c, NO_LOCATION, POP_BLOCK));
    TRY(emit(c, NO_LOCATION, POP_EXCEPT));
    TRY(emit_jump(c, NO_LOCATION, JUMP_NO_INTERRUPT, end));
    place(c, reraise);
    TRY(emit(c, NO_LOCATION, POP_BLOCK));
    TRY(emit_arg(c, NO_LOCATION, SWAP, 2));
    TRY(emit(c, NO_LOCATION, POP_EXCEPT));
    TRY(emit_arg(c, NO_LOCATION, RERAISE, 0));
    place(c, cleanup);
    TRY(emit_reraise_outer(c));
    place(c, orelse);
    TRY(gen_stmts(c, s->v.TryStar.orelse));
    return place(c, end);
}

/* ---- finally ------------------------------------------------------------------------------------------------------------------- */

static int gen_handled_body(Compiler *c, stmt_ty s)
{
    if (!seq_len(s->v.Try.handlers)) return gen_stmts(c, s->v.Try.body);
    return s->kind == TryStar_kind ? gen_try_star(c, s) : gen_try_except(c, s);
}

static int gen_try_finally(Compiler *c, stmt_ty s)
{
    Location loc = LOC(s);
    stmt_seq *suite = s->v.Try.finalbody;
    NEW_LABEL(c, body);
    NEW_LABEL(c, end);
    NEW_LABEL(c, exit);
    NEW_LABEL(c, cleanup);
    TRY(emit_jump(c, loc, SETUP_FINALLY, end));
    place(c, body);
    TRY(open_block(c, loc, BLOCK_FINALLY_TRY, body, end, suite));
    TRY(gen_handled_body(c, s));
    TRY(emit(c, NO_LOCATION, POP_BLOCK));
    close_block(c);
    TRY(gen_stmts(c, suite));
    TRY(emit_jump(c, NO_LOCATION, JUMP_NO_INTERRUPT, exit));
    place(c, end);                                     /* the suite again, for the exceptional case */
    TRY(open_block(c, loc, BLOCK_FINALLY_END, end, NO_LABEL, NULL));
    TRY(emit_jump(c, NO_LOCATION, SETUP_CLEANUP, cleanup));
    TRY(emit(c, NO_LOCATION, PUSH_EXC_INFO));
    TRY(gen_stmts(c, suite));
    close_block(c);
    TRY(emit_arg(c, NO_LOCATION, RERAISE, 0));
    place(c, cleanup);
    TRY(emit_reraise_outer(c));
    return place(c, exit);
}

int gen_try(Compiler *c, stmt_ty s)                    /* the fields of Try and TryStar lie alike */
{
    return seq_len(s->v.Try.finalbody) ? gen_try_finally(c, s) : gen_handled_body(c, s);
}

/* ---- with ------------------------------------------------------------------------------------------------------------------------ */

/* [exit, lasti, previous, exc, result of exit]: true means that the exception is dealt with. */
static int gen_with_handler_end(Compiler *c, Label cleanup, Label exit)
{
    NEW_LABEL(c, suppress);
    TRY(emit(c, NO_LOCATION, TO_BOOL));
    TRY(emit_jump(c, NO_LOCATION, POP_JUMP_IF_TRUE, suppress));
    TRY(emit_arg(c, NO_LOCATION, RERAISE, 2));
    place(c, suppress);
    TRY(emit(c, NO_LOCATION, POP_TOP));
    TRY(emit(c, NO_LOCATION, POP_BLOCK));
    TRY(emit(c, NO_LOCATION, POP_EXCEPT));
    TRY(emit(c, NO_LOCATION, POP_TOP));
    TRY(emit(c, NO_LOCATION, POP_TOP));
    TRY(emit_jump(c, NO_LOCATION, JUMP_NO_INTERRUPT, exit));
    place(c, cleanup);
    return emit_reraise_outer(c);
}

int gen_with(Compiler *c, stmt_ty s, Py_ssize_t at, bool async)
{
    withitem_seq *items = s->v.With.items;             /* With and AsyncWith lie alike */
    withitem_ty item = seq_get(items, at);
    Location loc = LOC(item->context_expr);
    if (async && !top_level_await(c) && c->u->kind != UNIT_ASYNC_FUNCTION)
        return ERROR_AT(c, LOC(s), "'async with' outside async function");
    NEW_LABEL(c, block);
    NEW_LABEL(c, final);
    NEW_LABEL(c, exit);
    NEW_LABEL(c, cleanup);
    TRY(gen_expr(c, item->context_expr));
    TRY(emit(c, loc, async ? BEFORE_ASYNC_WITH : BEFORE_WITH));
    if (async) TRY(emit_await(c, loc, 1));
    TRY(emit_jump(c, loc, SETUP_WITH, final));
    place(c, block);
    TRY(open_block(c, loc, async ? BLOCK_ASYNC_WITH : BLOCK_WITH, block, final, s));
    TRY(item->optional_vars ? gen_expr(c, item->optional_vars) : emit(c, loc, POP_TOP));
    TRY(at + 1 == seq_len(items) ? gen_stmts(c, s->v.With.body) : gen_with(c, s, at + 1, async));
    TRY(emit(c, async ? loc : NO_LOCATION, POP_BLOCK));
    close_block(c);
    TRY(emit_exit_with_nones(c, loc));
    if (async) TRY(emit_await(c, loc, 2));
    TRY(emit(c, loc, POP_TOP));
    TRY(emit_jump(c, loc, JUMP, exit));
    place(c, final);
    TRY(emit_jump(c, loc, SETUP_CLEANUP, cleanup));
    TRY(emit(c, loc, PUSH_EXC_INFO));
    TRY(emit(c, loc, WITH_EXCEPT_START));
    if (async) TRY(emit_await(c, loc, 2));
    TRY(gen_with_handler_end(c, cleanup, exit));
    return place(c, exit);
}
