/* Code for statements, save those that have files of their own: definitions (codegen_def.c), try and with (codegen_try.c), match
 * (codegen_match.c). */
#include "compile/codegen_private.h"

int gen_stmts(Compiler *c, stmt_seq *seq)
{
    for (Py_ssize_t i = 0; i < seq_len(seq); i++) TRY(gen_stmt(c, seq_get(seq, i)));
    return 0;
}

/* ---- bodies of modules and classes ------------------------------------------------------------------------------------------ */

int gen_body(Compiler *c, Location loc, stmt_seq *body)
{
    Py_ssize_t first = 0;
    if (c->u->scope->annotations_used) TRY(emit(c, loc, SETUP_ANNOTATIONS));
    if (!seq_len(body)) return 0;
    PyObject *docstring = tree_docstring(body);
    if (docstring) {
        first = 1;
        if (c->optimize < 2) {
            TRY(emit_const_new(c, LOC(seq_get(body, 0)->v.Expr.value), compile_clean_doc(docstring)));
            TRY(emit_variable(c, NO_LOCATION, STR(__doc__), Store));
        }
    }
    for (Py_ssize_t i = first; i < seq_len(body); i++) TRY(gen_stmt(c, seq_get(body, i)));
    return 0;
}

/* ---- assignments -------------------------------------------------------------------------------------------------------------- */

static int gen_assign(Compiler *c, stmt_ty s)
{
    expr_seq *targets = s->v.Assign.targets;
    TRY(gen_expr(c, s->v.Assign.value));
    for (Py_ssize_t i = 0; i < seq_len(targets); i++) {
        if (i + 1 < seq_len(targets)) TRY(emit_arg(c, LOC(s), COPY, 1));
        TRY(gen_expr(c, seq_get(targets, i)));
    }
    return 0;
}

/* Leaves what is needed for storing, and the old value on top. */
static int gen_augmented_load(Compiler *c, expr_ty e)
{
    Location loc = LOC(e);
    switch (e->kind) {
    case Attribute_kind:
        TRY(gen_expr(c, e->v.Attribute.value));
        TRY(emit_arg(c, loc, COPY, 1));
        return emit_named(c, attribute_location(loc, e), LOAD_ATTR, e->v.Attribute.attr);
    case Subscript_kind: {
        bool two = is_two_element_slice(e->v.Subscript.slice);
        TRY(gen_expr(c, e->v.Subscript.value));
        if (two) TRY(gen_slice(c, e->v.Subscript.slice));
        else TRY(gen_expr(c, e->v.Subscript.slice));
        for (int i = 0, n = two ? 3 : 2; i < n; i++) TRY(emit_arg(c, loc, COPY, n));
        return emit(c, loc, two ? BINARY_SLICE : BINARY_SUBSCR);
    }
    case Name_kind:
        return emit_variable(c, loc, e->v.Name.id, Load);
    default:
        PyErr_Format(PyExc_SystemError, "invalid node type (%d) for augmented assignment", e->kind);
        return -1;
    }
}

static int gen_augmented_store(Compiler *c, expr_ty e)
{
    Location loc = LOC(e);
    switch (e->kind) {
    case Attribute_kind:
        loc = attribute_location(loc, e);
        TRY(emit_arg(c, loc, SWAP, 2));
        return emit_named(c, loc, STORE_ATTR, e->v.Attribute.attr);
    case Subscript_kind: {
        bool two = is_two_element_slice(e->v.Subscript.slice);
        for (int n = two ? 4 : 3; n > 1; n--) TRY(emit_arg(c, loc, SWAP, n));
        return emit(c, loc, two ? STORE_SLICE : STORE_SUBSCR);
    }
    default:
        return emit_variable(c, loc, e->v.Name.id, Store);
    }
}

static int gen_aug_assign(Compiler *c, stmt_ty s)
{
    expr_ty target = s->v.AugAssign.target;
    TRY(gen_augmented_load(c, target));
    TRY(gen_expr(c, s->v.AugAssign.value));
    TRY(emit_binary(c, LOC(s), s->v.AugAssign.op, true));
    return gen_augmented_store(c, target);
}

/* An annotated target that gets no value is still evaluated. */
static int gen_and_drop(Compiler *c, expr_ty e)
{
    TRY(gen_expr(c, e));
    return emit(c, LOC(e), POP_TOP);
}

static int gen_and_drop_index(Compiler *c, expr_ty e)
{
    switch (e->kind) {
    case Slice_kind:
        if (e->v.Slice.lower) TRY(gen_and_drop(c, e->v.Slice.lower));
        if (e->v.Slice.upper) TRY(gen_and_drop(c, e->v.Slice.upper));
        return e->v.Slice.step ? gen_and_drop(c, e->v.Slice.step) : 0;
    case Tuple_kind:
        for (Py_ssize_t i = 0; i < seq_len(e->v.Tuple.elts); i++) TRY(gen_and_drop_index(c, seq_get(e->v.Tuple.elts, i)));
        return 0;
    default:
        return gen_and_drop(c, e);
    }
}

static int store_annotation(Compiler *c, stmt_ty s, PyObject *name)
{
    Location loc = LOC(s);
    if (c->flags & CO_FUTURE_ANNOTATIONS) TRY(gen_annotation_text(c, s->v.AnnAssign.annotation));
    else TRY(gen_expr(c, s->v.AnnAssign.annotation));
    TRY(emit_named(c, loc, LOAD_NAME, STR(__annotations__)));
    if (!(name = unit_mangle(c, name))) return -1;
    TRY(emit_const(c, loc, name));
    return emit(c, loc, STORE_SUBSCR);
}

static int gen_ann_assign(Compiler *c, stmt_ty s)
{
    expr_ty target = s->v.AnnAssign.target, value = s->v.AnnAssign.value;
    bool evaluated = c->u->kind == UNIT_MODULE || c->u->kind == UNIT_CLASS;
    if (value) {
        TRY(gen_expr(c, value));
        TRY(gen_expr(c, target));
    }
    switch (target->kind) {
    case Name_kind:
        TRY(refuse_debug(c, LOC(s), target->v.Name.id, Store));
        if (s->v.AnnAssign.simple && evaluated) TRY(store_annotation(c, s, target->v.Name.id));
        break;
    case Attribute_kind:
        TRY(refuse_debug(c, LOC(s), target->v.Attribute.attr, Store));
        if (!value) TRY(gen_and_drop(c, target->v.Attribute.value));
        break;
    case Subscript_kind:
        if (!value) {
            TRY(gen_and_drop(c, target->v.Subscript.value));
            TRY(gen_and_drop_index(c, target->v.Subscript.slice));
        }
        break;
    default:
        PyErr_Format(PyExc_SystemError, "invalid node type (%d) for annotated assignment", target->kind);
        return -1;
    }
    if (s->v.AnnAssign.simple || (c->flags & CO_FUTURE_ANNOTATIONS) || !evaluated) return 0;
    return gen_and_drop(c, s->v.AnnAssign.annotation);
}

/* ---- branches and loops --------------------------------------------------------------------------------------------------------- */

static int gen_if(Compiler *c, stmt_ty s)
{
    NEW_LABEL(c, end);
    Label next = end;
    if (seq_len(s->v.If.orelse)) TRY(emit_label(c, &next));
    TRY(gen_jump_if(c, LOC(s), s->v.If.test, next, false));
    TRY(gen_stmts(c, s->v.If.body));
    if (next != end) {
        TRY(emit_jump(c, NO_LOCATION, JUMP_NO_INTERRUPT, end));
        place(c, next);
        TRY(gen_stmts(c, s->v.If.orelse));
    }
    return place(c, end);
}

static int gen_for(Compiler *c, stmt_ty s)
{
    Location loc = LOC(s->v.For.iter);
    NEW_LABEL(c, start);
    NEW_LABEL(c, cleanup);
    NEW_LABEL(c, end);
    TRY(open_block(c, LOC(s), BLOCK_FOR, start, end, NULL));
    TRY(gen_expr(c, s->v.For.iter));
    TRY(emit(c, loc, GET_ITER));
    place(c, start);
    TRY(emit_jump(c, loc, FOR_ITER, cleanup));
    TRY(emit(c, LOC(s->v.For.target), NOP));           /* the debugger stops at the target of a long `for` */
    TRY(gen_expr(c, s->v.For.target));
    TRY(gen_stmts(c, s->v.For.body));
    TRY(emit_jump(c, NO_LOCATION, JUMP, start));
    place(c, cleanup);
    TRY(emit(c, NO_LOCATION, END_FOR));                /* instrumentation expects it first */
    TRY(emit(c, NO_LOCATION, POP_TOP));
    close_block(c);
    TRY(gen_stmts(c, s->v.For.orelse));
    return place(c, end);
}

static int gen_async_for(Compiler *c, stmt_ty s)
{
    Location loc = LOC(s);
    if (!top_level_await(c) && c->u->kind != UNIT_ASYNC_FUNCTION)
        return ERROR_AT(c, loc, "'async for' outside async function");
    NEW_LABEL(c, start);
    NEW_LABEL(c, except);
    NEW_LABEL(c, end);
    TRY(gen_expr(c, s->v.AsyncFor.iter));
    TRY(emit(c, LOC(s->v.AsyncFor.iter), GET_AITER));
    place(c, start);
    TRY(open_block(c, loc, BLOCK_FOR, start, end, NULL));
    TRY(emit_jump(c, loc, SETUP_FINALLY, except));
    TRY(emit(c, loc, GET_ANEXT));
    TRY(emit_const(c, loc, Py_None));
    TRY(emit_yield_from(c, loc, true));
    TRY(emit(c, loc, POP_BLOCK));
    TRY(gen_expr(c, s->v.AsyncFor.target));
    TRY(gen_stmts(c, s->v.AsyncFor.body));
    TRY(emit_jump(c, NO_LOCATION, JUMP, start));
    close_block(c);
    place(c, except);
    TRY(emit(c, LOC(s->v.AsyncFor.iter), END_ASYNC_FOR));
    TRY(gen_stmts(c, s->v.AsyncFor.orelse));
    return place(c, end);
}

static int gen_while(Compiler *c, stmt_ty s)
{
    NEW_LABEL(c, loop);
    NEW_LABEL(c, body);
    NEW_LABEL(c, anchor);
    NEW_LABEL(c, end);
    place(c, loop);
    TRY(open_block(c, LOC(s), BLOCK_WHILE, loop, end, NULL));
    TRY(gen_jump_if(c, LOC(s), s->v.While.test, anchor, false));
    place(c, body);
    TRY(gen_stmts(c, s->v.While.body));
    TRY(gen_jump_if(c, LOC(s), s->v.While.test, body, true));
    close_block(c);
    place(c, anchor);
    TRY(gen_stmts(c, s->v.While.orelse));
    return place(c, end);
}

/* ---- import ------------------------------------------------------------------------------------------------------------------------ */

/* BORROWED */
static PyObject *part_of_name(Compiler *c, PyObject *name, Py_ssize_t from, Py_ssize_t to)
{
    return compiler_own_name(c, PyUnicode_Substring(name, from, to));
}

/* import a.b.c as x: the import gives a, the rest are attributes. */
static int import_as(Compiler *c, Location loc, PyObject *name, PyObject *as)
{
    Py_ssize_t length = PyUnicode_GET_LENGTH(name), dot = PyUnicode_FindChar(name, '.', 0, length, 1);
    if (dot == -2) return -1;
    if (dot < 0) return emit_variable(c, loc, as, Store);
    for (;;) {
        Py_ssize_t from = dot + 1;
        dot = PyUnicode_FindChar(name, '.', from, length, 1);
        if (dot == -2) return -1;
        TRY(emit_named_plain(c, loc, IMPORT_FROM, part_of_name(c, name, from, dot < 0 ? length : dot)));
        if (dot < 0) break;
        TRY(emit_arg(c, loc, SWAP, 2));
        TRY(emit(c, loc, POP_TOP));
    }
    TRY(emit_variable(c, loc, as, Store));
    return emit(c, loc, POP_TOP);
}

static int gen_import(Compiler *c, stmt_ty s)
{
    Location loc = LOC(s);
    for (Py_ssize_t i = 0; i < seq_len(s->v.Import.names); i++) {
        alias_ty a = seq_get(s->v.Import.names, i);
        TRY(emit_const_int(c, loc, 0));
        TRY(emit_const(c, loc, Py_None));
        TRY(emit_named(c, loc, IMPORT_NAME, a->name));
        if (a->asname) {
            TRY(import_as(c, loc, a->name, a->asname));
            continue;
        }
        Py_ssize_t dot = PyUnicode_FindChar(a->name, '.', 0, PyUnicode_GET_LENGTH(a->name), 1);
        PyObject *name = dot < 0 ? a->name : part_of_name(c, a->name, 0, dot);
        if (!name) return -1;
        TRY(emit_variable(c, loc, name, Store));
    }
    return 0;
}

static bool is_late(Location loc, Location last)
{
    return loc.lineno > last.lineno || (loc.lineno == last.end_lineno && loc.col_offset > last.end_col_offset);
}

static int gen_import_from(Compiler *c, stmt_ty s)
{
    Location loc = LOC(s);
    alias_seq *aliases = s->v.ImportFrom.names;
    PyObject *module = s->v.ImportFrom.module;
    if (is_late(loc, c->last_future) && module && s->v.ImportFrom.level == 0 && PyUnicode_EqualToUTF8(module, "__future__"))
        return ERROR_AT(c, loc, "from __future__ imports must occur at the beginning of the file");
    TRY(emit_const_int(c, loc, s->v.ImportFrom.level));
    PyObject *names = PyTuple_New(seq_len(aliases));
    if (!names) return -1;
    for (Py_ssize_t i = 0; i < seq_len(aliases); i++) PyTuple_SET_ITEM(names, i, Py_NewRef(seq_get(aliases, i)->name));
    TRY(emit_const_new(c, loc, names));
    TRY(emit_named(c, loc, IMPORT_NAME, module ? module : compiler_intern(c, "")));
    for (Py_ssize_t i = 0; i < seq_len(aliases); i++) {
        alias_ty a = seq_get(aliases, i);
        if (i == 0 && PyUnicode_EqualToUTF8(a->name, "*")) {
            TRY(emit_arg(c, loc, CALL_INTRINSIC_1, INTRINSIC_IMPORT_STAR));
            return emit(c, NO_LOCATION, POP_TOP);
        }
        TRY(emit_named(c, loc, IMPORT_FROM, a->name));
        TRY(emit_variable(c, loc, a->asname ? a->asname : a->name, Store));
    }
    return emit(c, loc, POP_TOP);
}

/* ---- the rest ------------------------------------------------------------------------------------------------------------------------ */

static int gen_assert(Compiler *c, stmt_ty s)
{
    expr_ty test = s->v.Assert.test;
    bool full_tuple = (test->kind == Tuple_kind && seq_len(test->v.Tuple.elts)) ||
                      (test->kind == Constant_kind && PyTuple_Check(test->v.Constant.value) && PyTuple_GET_SIZE(test->v.Constant.value));
    if (full_tuple) TRY(compile_warn_at(c->filename, LOC(s), "assertion is always true, perhaps remove parentheses?"));
    if (c->optimize) return 0;
    NEW_LABEL(c, end);
    TRY(gen_jump_if(c, LOC(s), test, end, true));
    TRY(emit(c, LOC(s), LOAD_ASSERTION_ERROR));
    if (s->v.Assert.msg) {
        TRY(gen_expr(c, s->v.Assert.msg));
        TRY(emit_arg(c, LOC(s), CALL, 0));             /* the message is in the place of self */
    }
    TRY(emit_arg(c, LOC(test), RAISE_VARARGS, 1));
    return place(c, end);
}

static int gen_expr_stmt(Compiler *c, Location loc, expr_ty value)
{
    if (c->interactive && c->depth <= 1) {
        TRY(gen_expr(c, value));
        TRY(emit_arg(c, loc, CALL_INTRINSIC_1, INTRINSIC_PRINT));
        return emit(c, NO_LOCATION, POP_TOP);
    }
    if (value->kind == Constant_kind) return emit(c, loc, NOP);
    TRY(gen_expr(c, value));
    return emit(c, NO_LOCATION, POP_TOP);
}

static int gen_raise(Compiler *c, stmt_ty s)
{
    int n = 0;
    if (s->v.Raise.exc) {
        TRY(gen_expr(c, s->v.Raise.exc));
        n++;
        if (s->v.Raise.cause) {
            TRY(gen_expr(c, s->v.Raise.cause));
            n++;
        }
    }
    return emit_arg(c, LOC(s), RAISE_VARARGS, n);
}

static int gen_stmt_inner(Compiler *c, stmt_ty s)
{
    Location loc = LOC(s);
    switch (s->kind) {
    case FunctionDef_kind:
    case AsyncFunctionDef_kind: return gen_function(c, s);
    case ClassDef_kind:         return gen_class(c, s);
    case TypeAlias_kind:        return gen_type_alias(c, s);
    case Return_kind:           return gen_return(c, s);
    case Delete_kind:           return gen_exprs(c, s->v.Delete.targets);
    case Assign_kind:           return gen_assign(c, s);
    case AugAssign_kind:        return gen_aug_assign(c, s);
    case AnnAssign_kind:        return gen_ann_assign(c, s);
    case For_kind:              return gen_for(c, s);
    case AsyncFor_kind:         return gen_async_for(c, s);
    case While_kind:            return gen_while(c, s);
    case If_kind:               return gen_if(c, s);
    case Match_kind:            return gen_match(c, s);
    case Raise_kind:            return gen_raise(c, s);
    case Try_kind:
    case TryStar_kind:          return gen_try(c, s);
    case Assert_kind:           return gen_assert(c, s);
    case Import_kind:           return gen_import(c, s);
    case ImportFrom_kind:       return gen_import_from(c, s);
    case Expr_kind:             return gen_expr_stmt(c, loc, s->v.Expr.value);
    case Pass_kind:             return emit(c, loc, NOP);
    case Break_kind:            return gen_break(c, loc);
    case Continue_kind:         return gen_continue(c, loc);
    case With_kind:             return gen_with(c, s, 0, false);
    case AsyncWith_kind:        return gen_with(c, s, 0, true);
    default:                    return 0;              /* global, nonlocal: the symbol table's */
    }
}

int gen_stmt(Compiler *c, stmt_ty s)
{
    if (Py_EnterRecursiveCall(" during compilation")) return -1;
    int status = gen_stmt_inner(c, s);
    Py_LeaveRecursiveCall();
    return status;
}
