/* Code for comprehensions. Generator expressions, and comprehensions in scopes that see a class, are functions called at once
 * with the iterator of the first `for`; all others are part of the block around them (PEP 709): the variables they bind are saved
 * on the stack, hidden or turned into cells while they run, and restored also when an exception passes. */
#include "compile/codegen_private.h"

typedef struct Comprehension {
    ComprehensionType type;
    comprehension_seq *generators;
    expr_ty element, value;                            /* value: of a dict, else NULL */
} Comprehension;

/* ---- saved variables of an inlined comprehension -------------------------------------------------------------------------- */

typedef struct Saved {
    PyObject **pushed;                                 /* names whose old values are on the stack, in order */
    int pushed_count;
    PyObject **hidden;                                 /* names that became fast locals of a module or class */
    int hidden_count;
    PyObject **changed;                                /* symbols that have another meaning inside, with what they were */
    int *changed_flags;
    int changed_count;
    Label cleanup, end;
} Saved;

static int saved_reserve(Compiler *c, Saved *s, int count)
{
    size_t n = (size_t)(count ? count : 1);
    s->pushed = arena_alloc(c->arena, n * sizeof *s->pushed);
    s->hidden = arena_alloc(c->arena, n * sizeof *s->hidden);
    s->changed = arena_alloc(c->arena, n * sizeof *s->changed);
    s->changed_flags = arena_alloc(c->arena, n * sizeof *s->changed_flags);
    return s->pushed && s->hidden && s->changed && s->changed_flags ? 0 : -1;
}

static int save_symbol(Compiler *c, Location loc, Saved *s, PyObject *name, int flags, bool in_class)
{
    bool bound = (flags & DEF_LOCAL) && !(flags & DEF_NONLOCAL);
    Scope *scope = c->u->scope;
    CodeMeta *meta = &c->u->meta;
    int outer_flags = scope_symbol(scope, name);
    int inside = scope_of_flags(flags), outside = scope_of_flags(outer_flags);
    if (in_class || (inside != outside && inside != FREE_SCOPE && !(inside == CELL_SCOPE && outside == FREE_SCOPE))) {
        TRY(namemap_set(c->arena, &scope->symbols, name, flags));
        s->changed[s->changed_count] = name;
        s->changed_flags[s->changed_count++] = outer_flags;
    }
    if (!bound && !in_class) return 0;
    if (!scope_is_function_like(scope) && !namemap_get(&meta->fasthidden, name, 0)) {
        TRY(namemap_set(c->arena, &meta->fasthidden, name, 1));
        s->hidden[s->hidden_count++] = name;
    }
    TRY(emit_local(c, loc, LOAD_FAST_AND_CLEAR, name));        /* of a cell variable: the cell itself */
    if (inside == CELL_SCOPE) {
        int cell = namemap_get(outside == FREE_SCOPE ? &meta->freevars : &meta->cellvars, name, -1);
        if (cell < 0) {
            PyErr_Format(PyExc_SystemError, "compiler: no cell for %R", name);
            return -1;
        }
        TRY(emit_arg(c, loc, MAKE_CELL, cell));
    }
    s->pushed[s->pushed_count++] = name;
    return 0;
}

/* [iterator] -> [iterator, saved values ...] in the other order */
static int inlined_begin(Compiler *c, Location loc, const Scope *comp, Saved *s)
{
    bool in_class = c->u->scope->type == ClassBlock && !c->u->inlined_comprehensions;
    TRY(saved_reserve(c, s, comp->symbols.count));
    c->u->inlined_comprehensions++;
    for (int i = 0; i < comp->symbols.count; i++)
        TRY(save_symbol(c, loc, s, comp->symbols.keys[i], comp->symbols.values[i], in_class));
    if (!s->pushed_count) return 0;
    TRY(emit_arg(c, loc, SWAP, s->pushed_count + 1));
    TRY(emit_label(c, &s->cleanup));
    TRY(emit_label(c, &s->end));
    return emit_jump(c, loc, SETUP_FINALLY, s->cleanup);
}

/* [saved values ..., top] -> [top] */
static int restore_values(Compiler *c, Location loc, const Saved *s)
{
    TRY(emit_arg(c, loc, SWAP, s->pushed_count + 1));
    for (int i = s->pushed_count - 1; i >= 0; i--) TRY(emit_local(c, loc, STORE_FAST_MAYBE_NULL, s->pushed[i]));
    return 0;
}

static int inlined_end(Compiler *c, Location loc, Saved *s)
{
    c->u->inlined_comprehensions--;
    for (int i = 0; i < s->changed_count; i++)
        TRY(namemap_set(c->arena, &c->u->scope->symbols, s->changed[i], s->changed_flags[i]));
    if (s->pushed_count) {
        TRY(emit(c, NO_LOCATION, POP_BLOCK));
        TRY(emit_jump(c, NO_LOCATION, JUMP_NO_INTERRUPT, s->end));
        place(c, s->cleanup);
        TRY(emit_arg(c, NO_LOCATION, SWAP, 2));        /* the unfinished result goes */
        TRY(emit(c, NO_LOCATION, POP_TOP));
        TRY(restore_values(c, loc, s));
        TRY(emit_arg(c, loc, RERAISE, 0));
        place(c, s->end);
        TRY(restore_values(c, loc, s));
    }
    for (int i = 0; i < s->hidden_count; i++) TRY(namemap_set(c->arena, &c->u->meta.fasthidden, s->hidden[i], 0));
    return 0;
}

/* ---- the loops ---------------------------------------------------------------------------------------------------------------- */

static int gen_generators(Compiler *c, Location loc, const Comprehension *comp, Py_ssize_t at, int depth, bool iterator_on_stack);

/* What happens in the innermost loop. depth: how many iterators lie above the result. */
static int gen_element(Compiler *c, const Comprehension *comp, int depth)
{
    expr_ty e = comp->element;
    Location loc = LOC(e);
    TRY(gen_expr(c, e));
    switch (comp->type) {
    case GeneratorExpression:
        TRY(emit_yield(c, loc));
        return emit(c, loc, POP_TOP);
    case ListComprehension:
        return emit_arg(c, loc, LIST_APPEND, depth + 1);
    case SetComprehension:
        return emit_arg(c, loc, SET_ADD, depth + 1);
    default:
        TRY(gen_expr(c, comp->value));
        return emit_arg(c, (Location)SPAN_FROM_TO(e, comp->value), MAP_ADD, depth + 1);
    }
}

static Location end_of_element(const Comprehension *comp, bool innermost)
{
    if (innermost && comp->type == DictComprehension) return (Location)SPAN_FROM_TO(comp->element, comp->value);
    return LOC(comp->element);
}

static int gen_conditions(Compiler *c, Location loc, comprehension_ty g, Label skip)
{
    for (Py_ssize_t i = 0; i < seq_len(g->ifs); i++) TRY(gen_jump_if(c, loc, seq_get(g->ifs, i), skip, false));
    return 0;
}

/* The rest of the nest: the next `for`, or the element. */
static int gen_inside(Compiler *c, Location loc, const Comprehension *comp, Py_ssize_t at, int depth, bool *innermost)
{
    *innermost = at + 1 >= seq_len(comp->generators);
    return *innermost ? gen_element(c, comp, depth) : gen_generators(c, loc, comp, at + 1, depth, false);
}

static int load_first_iterator(Compiler *c, Location loc)
{
    c->u->meta.argcount = 1;
    return emit_arg(c, loc, LOAD_FAST, 0);
}

/* `for y in [f(x)]` assigns: the only item of a display, or NULL */
static expr_ty single_item(expr_ty iter)
{
    expr_seq *elts = iter->kind == List_kind ? iter->v.List.elts : iter->kind == Tuple_kind ? iter->v.Tuple.elts : NULL;
    return seq_len(elts) == 1 && seq_get(elts, 0)->kind != Starred_kind ? seq_get(elts, 0) : NULL;
}

static int gen_sync_generator(Compiler *c, Location loc, const Comprehension *comp, Py_ssize_t at, int depth, bool iterator_on_stack)
{
    comprehension_ty g = seq_get(comp->generators, at);
    bool innermost, loop = true;
    NEW_LABEL(c, start);
    NEW_LABEL(c, skip);
    NEW_LABEL(c, anchor);
    if (!iterator_on_stack) {
        expr_ty single = at ? single_item(g->iter) : NULL;
        loop = !single;
        if (at == 0) TRY(load_first_iterator(c, loc));
        else TRY(gen_expr(c, single ? single : g->iter));
        if (loop && at) TRY(emit(c, LOC(g->iter), GET_ITER));
    }
    if (loop) {
        depth += 1;
        TRY(emit(c, LOC(g->iter), GET_ITER));
        place(c, start);
        TRY(emit_jump(c, LOC(g->iter), FOR_ITER, anchor));
    }
    TRY(gen_expr(c, g->target));
    TRY(gen_conditions(c, loc, g, skip));
    TRY(gen_inside(c, loc, comp, at, depth, &innermost));
    place(c, skip);
    if (!loop) return 0;
    TRY(emit_jump(c, end_of_element(comp, innermost), JUMP, start));
    place(c, anchor);
    TRY(emit(c, NO_LOCATION, END_FOR));                /* instrumentation expects it first */
    return emit(c, NO_LOCATION, POP_TOP);
}

static int gen_async_generator(Compiler *c, Location loc, const Comprehension *comp, Py_ssize_t at, int depth, bool iterator_on_stack)
{
    comprehension_ty g = seq_get(comp->generators, at);
    bool innermost;
    NEW_LABEL(c, start);
    NEW_LABEL(c, except);
    NEW_LABEL(c, skip);
    if (!iterator_on_stack) {
        if (at == 0) TRY(load_first_iterator(c, loc));
        else {
            TRY(gen_expr(c, g->iter));
            TRY(emit(c, LOC(g->iter), GET_AITER));
        }
    }
    place(c, start);
    TRY(open_block(c, loc, BLOCK_ASYNC_COMPREHENSION, start, NO_LABEL, NULL));
    TRY(emit_jump(c, loc, SETUP_FINALLY, except));
    TRY(emit(c, loc, GET_ANEXT));
    TRY(emit_const(c, loc, Py_None));
    TRY(emit_yield_from(c, loc, true));
    TRY(emit(c, loc, POP_BLOCK));
    TRY(gen_expr(c, g->target));
    TRY(gen_conditions(c, loc, g, skip));
    TRY(gen_inside(c, loc, comp, at, depth + 1, &innermost));
    place(c, skip);
    TRY(emit_jump(c, end_of_element(comp, innermost), JUMP, start));
    close_block(c);
    place(c, except);
    return emit(c, loc, END_ASYNC_FOR);
}

static int gen_generators(Compiler *c, Location loc, const Comprehension *comp, Py_ssize_t at, int depth, bool iterator_on_stack)
{
    if (Py_EnterRecursiveCall(" during compilation")) return -1;
    int status = seq_get(comp->generators, at)->is_async ? gen_async_generator(c, loc, comp, at, depth, iterator_on_stack)
                                                         : gen_sync_generator(c, loc, comp, at, depth, iterator_on_stack);
    Py_LeaveRecursiveCall();
    return status;
}

/* ---- the whole ------------------------------------------------------------------------------------------------------------------ */

static int gen_first_iterator(Compiler *c, const Comprehension *comp)
{
    comprehension_ty first = seq_get(comp->generators, 0);
    TRY(gen_expr(c, first->iter));
    return emit(c, LOC(first->iter), first->is_async ? GET_AITER : GET_ITER);
}

static int emit_empty_result(Compiler *c, Location loc, ComprehensionType type)
{
    return emit_arg(c, loc, type == ListComprehension ? BUILD_LIST : type == SetComprehension ? BUILD_SET : BUILD_MAP, 0);
}

static int gen_inlined(Compiler *c, expr_ty e, const Comprehension *comp, const Scope *scope)
{
    Location loc = LOC(e);
    Saved saved = {0};
    TRY(gen_first_iterator(c, comp));
    TRY(inlined_begin(c, loc, scope, &saved));
    TRY(emit_empty_result(c, loc, comp->type));
    TRY(emit_arg(c, loc, SWAP, 2));
    TRY(gen_generators(c, loc, comp, 0, 0, true));
    return inlined_end(c, loc, &saved);
}

static PyObject *comprehension_code(Compiler *c, expr_ty e, const Comprehension *comp, const char *name)
{
    Location loc = LOC(e);
    bool generator = comp->type == GeneratorExpression;
    if (unit_enter(c, compiler_intern(c, name), UNIT_COMPREHENSION, e, e->lineno, NULL) < 0) return NULL;
    if (!generator && emit_empty_result(c, loc, comp->type) < 0) return NULL;
    if (gen_generators(c, loc, comp, 0, 0, false) < 0) return NULL;
    if (generator ? wrap_stop_iteration(c) : emit(c, loc, RETURN_VALUE)) return NULL;
    return unit_finish(c, true);
}

int gen_comprehension(Compiler *c, expr_ty e)
{
    const char *name;
    Comprehension comp = {0};
    switch (e->kind) {
    case ListComp_kind:
        name = "<listcomp>";
        comp = (Comprehension){ ListComprehension, e->v.ListComp.generators, e->v.ListComp.elt, NULL };
        break;
    case SetComp_kind:
        name = "<setcomp>";
        comp = (Comprehension){ SetComprehension, e->v.SetComp.generators, e->v.SetComp.elt, NULL };
        break;
    case DictComp_kind:
        name = "<dictcomp>";
        comp = (Comprehension){ DictComprehension, e->v.DictComp.generators, e->v.DictComp.key, e->v.DictComp.value };
        break;
    default:
        name = "<genexpr>";
        comp = (Comprehension){ GeneratorExpression, e->v.GeneratorExp.generators, e->v.GeneratorExp.elt, NULL };
    }
    Scope *scope = symtable_lookup(&c->st, e);
    if (!scope) return -1;
    Location loc = LOC(e);
    if (scope->coroutine && top_level_await(c)) c->u->scope->coroutine = true;         /* a generator expression, too */
    bool coroutine = scope->coroutine && comp.type != GeneratorExpression;
    if (coroutine && c->u->kind != UNIT_ASYNC_FUNCTION && c->u->kind != UNIT_COMPREHENSION && !top_level_await(c))
        return ERROR_AT(c, loc, "asynchronous comprehension outside of an asynchronous function");
    if (scope->comp_inlined) return gen_inlined(c, e, &comp, scope);
    TRY(emit_closure(c, loc, comprehension_code(c, e, &comp, name), 0));
    TRY(gen_first_iterator(c, &comp));
    TRY(emit_arg(c, loc, CALL, 0));                    /* the iterator is in the place of self */
    return coroutine ? emit_await(c, loc, 0) : 0;
}
