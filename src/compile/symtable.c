/* First pass over the tree: which names each block binds, uses and declares. What a name then means (local, global, free,
 * cell) is decided by symtable_scopes.c. Blocks are the module, functions, classes, lambdas, comprehensions and the scopes of
 * type parameters, type aliases and bounds (PEP 695, 696). A block is found again by the address of its tree node. */
#include "compile/compile_private.h"

#define TRY(call) do { if ((call) < 0) return -1; } while (0)

static int visit_stmt(SymbolTable *st, stmt_ty s);
static int visit_expr(SymbolTable *st, expr_ty e);

/* ---- errors: a SyntaxError whose place is set as attributes, so args holds the message alone ------------------------- */

static int COLD symtable_error(SymbolTable *st, Location loc, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    PyErr_FormatV(PyExc_SyntaxError, format, args);
    va_end(args);
    PyErr_RangedSyntaxLocationObject(st->filename, loc.lineno, loc.col_offset + 1, loc.end_lineno, loc.end_col_offset + 1);
    return -1;
}

/* ---- blocks --------------------------------------------------------------------------------------------------------- */

static int scope_grow(Arena *arena, void **items, int count, int *capacity, size_t item_size)
{
    if (count < *capacity) return 0;
    int wanted = *capacity ? *capacity * 2 : 4;
    void *grown = arena_alloc(arena, (size_t)wanted * item_size);
    if (!grown) return -1;
    if (count) memcpy(grown, *items, (size_t)count * item_size);
    *items = grown;
    *capacity = wanted;
    return 0;
}

static int block_enter(SymbolTable *st, PyObject *name, BlockType type, const void *key, Location loc)
{
    Scope *s = arena_alloc(st->arena, sizeof *s), *outer = st->current;
    if (!s) return -1;
    s->key = key;
    s->name = name;
    s->type = type;
    s->loc = loc;
    s->parent = outer;
    if (outer) {
        s->nested = outer->nested || scope_is_function_like(outer);
        s->comp_iter_expr = outer->comp_iter_expr;     /* := stays forbidden in anything inside an iterable */
        if (type != ClassBlock) s->mangled_names = outer->mangled_names;
    }
    TRY(scope_grow(st->arena, (void **)&st->all, st->all_count, &st->all_capacity, sizeof *st->all));
    TRY(namemap_set(st->arena, &st->by_key, key, st->all_count));
    st->all[st->all_count++] = s;
    st->current = s;
    /* Annotations that become strings leave no trace in the tables of their surroundings. */
    if (type == AnnotationBlock || !outer) return 0;
    TRY(scope_grow(st->arena, (void **)&outer->children, outer->children_count, &outer->children_capacity, sizeof *outer->children));
    outer->children[outer->children_count++] = s;
    return 0;
}

static void block_exit(SymbolTable *st) { st->current = st->current->parent; }

Scope *symtable_lookup(SymbolTable *st, const void *key)
{
    int at = namemap_get(&st->by_key, key, -1);
    if (at >= 0) return st->all[at];
    PyErr_SetString(PyExc_KeyError, "unknown symbol table entry");
    return NULL;
}

int scope_symbol(const Scope *scope, PyObject *name) { return namemap_get(&scope->symbols, name, 0); }

/* ---- definitions ---------------------------------------------------------------------------------------------------- */

static int symbol_flags(SymbolTable *st, Scope *scope, PyObject *name)
{
    PyObject *mangled = mangle_maybe(st->arena, st->private, scope, name);
    return mangled ? scope_symbol(scope, mangled) : -1;
}

static int add_varname(SymbolTable *st, Scope *scope, PyObject *name)
{
    TRY(scope_grow(st->arena, (void **)&scope->varnames, scope->varnames_count, &scope->varnames_capacity, sizeof *scope->varnames));
    scope->varnames[scope->varnames_count++] = name;
    return 0;
}

static int add_def_to(SymbolTable *st, Scope *scope, PyObject *name, int flag, Location loc)
{
    PyObject *mangled = mangle_maybe(st->arena, st->private, st->current, name);
    if (!mangled) return -1;
    int flags = scope_symbol(scope, mangled);
    if (flag & flags & DEF_PARAM) return symtable_error(st, loc, "duplicate argument '%U' in function definition", name);
    if (flag & flags & DEF_TYPE_PARAM) return symtable_error(st, loc, "duplicate type parameter '%U'", name);
    flags |= flag;
    if (scope->comp_iter_target) {                     /* remembered, so that := can be refused later */
        if (flags & (DEF_GLOBAL | DEF_NONLOCAL))
            return symtable_error(st, loc, "comprehension inner loop cannot rebind assignment expression target '%U'", name);
        flags |= DEF_COMP_ITER;
    }
    TRY(namemap_set(st->arena, &scope->symbols, mangled, flags));
    if (flag & DEF_PARAM) return add_varname(st, scope, mangled);
    if (flag & DEF_GLOBAL)                             /* the module knows what its functions declare global */
        return namemap_set(st->arena, &st->top->symbols, mangled, scope_symbol(st->top, mangled) | flag);
    return 0;
}

static int add_def(SymbolTable *st, PyObject *name, int flag, Location loc)
{
    if ((flag & DEF_TYPE_PARAM) && st->current->mangled_names)
        TRY(namemap_set(st->arena, st->current->mangled_names, name, 1));
    return add_def_to(st, st->current, name, flag, loc);
}

static int add_special(SymbolTable *st, const char *name, int flag, Location loc)
{
    PyObject *text = PyUnicode_InternFromString(name);
    if (!text || arena_own(st->arena, text) < 0) return -1;
    return add_def_to(st, st->current, text, flag, loc);
}

/* `global` and `nonlocal` are remembered with their place: whether they make sense is known only at the end. */
static int record_directive(SymbolTable *st, PyObject *name, Location loc)
{
    PyObject *mangled = mangle_maybe(st->arena, st->private, st->current, name);
    Directive *d = mangled ? arena_alloc(st->arena, sizeof *d) : NULL;
    if (!d) return -1;
    *d = (Directive){ mangled, loc, NULL };
    if (st->current->directives_last) st->current->directives_last->next = d;
    else st->current->directives = d;
    st->current->directives_last = d;
    return 0;
}

/* ---- sequences ------------------------------------------------------------------------------------------------------ */

static int visit_exprs(SymbolTable *st, expr_seq *seq)
{
    for (Py_ssize_t i = 0; i < seq_len(seq); i++)
        if (seq_get(seq, i)) TRY(visit_expr(st, seq_get(seq, i)));
    return 0;
}

static int visit_optional(SymbolTable *st, expr_ty e) { return e ? visit_expr(st, e) : 0; }

static int visit_stmts(SymbolTable *st, stmt_seq *seq)
{
    for (Py_ssize_t i = 0; i < seq_len(seq); i++) TRY(visit_stmt(st, seq_get(seq, i)));
    return 0;
}

static int visit_keywords(SymbolTable *st, keyword_seq *seq)
{
    for (Py_ssize_t i = 0; i < seq_len(seq); i++) TRY(visit_expr(st, seq_get(seq, i)->value));
    return 0;
}

/* ---- parameters and annotations --------------------------------------------------------------------------------------- */

static int visit_params(SymbolTable *st, arg_seq *seq)
{
    for (Py_ssize_t i = 0; i < seq_len(seq); i++) TRY(add_def(st, seq_get(seq, i)->arg, DEF_PARAM, LOC(seq_get(seq, i))));
    return 0;
}

static int visit_arguments(SymbolTable *st, arguments_ty a)
{
    TRY(visit_params(st, a->posonlyargs));
    TRY(visit_params(st, a->args));
    TRY(visit_params(st, a->kwonlyargs));
    if (a->vararg) {
        TRY(add_def(st, a->vararg->arg, DEF_PARAM, LOC(a->vararg)));
        st->current->varargs = true;
    }
    if (a->kwarg) {
        TRY(add_def(st, a->kwarg->arg, DEF_PARAM, LOC(a->kwarg)));
        st->current->varkeywords = true;
    }
    return 0;
}

static int visit_annotation(SymbolTable *st, expr_ty annotation)
{
    bool as_string = st->features & CO_FUTURE_ANNOTATIONS;
    if (as_string) TRY(block_enter(st, STR(_annotation), AnnotationBlock, annotation, LOC(annotation)));
    TRY(visit_expr(st, annotation));
    if (as_string) block_exit(st);
    return 0;
}

static int visit_arg_annotations(SymbolTable *st, arg_seq *seq)
{
    for (Py_ssize_t i = 0; i < seq_len(seq); i++) TRY(visit_optional(st, seq_get(seq, i)->annotation));
    return 0;
}

static int visit_annotations(SymbolTable *st, stmt_ty s, arguments_ty a, expr_ty returns)
{
    bool as_string = st->features & CO_FUTURE_ANNOTATIONS;
    if (as_string) TRY(block_enter(st, STR(_annotation), AnnotationBlock, a, LOC(s)));
    TRY(visit_arg_annotations(st, a->posonlyargs));
    TRY(visit_arg_annotations(st, a->args));
    if (a->vararg) TRY(visit_optional(st, a->vararg->annotation));
    if (a->kwarg) TRY(visit_optional(st, a->kwarg->annotation));
    TRY(visit_arg_annotations(st, a->kwonlyargs));
    if (as_string) block_exit(st);
    return returns ? visit_annotation(st, returns) : 0;
}

/* ---- type parameters -------------------------------------------------------------------------------------------------- */

static bool has_kwonly_defaults(arguments_ty a)
{
    for (Py_ssize_t i = 0; i < seq_len(a->kw_defaults); i++)
        if (seq_get(a->kw_defaults, i)) return true;
    return false;
}

static int use_classdict(SymbolTable *st, Location loc)
{
    st->current->can_see_class_scope = true;
    return add_def(st, STR(__classdict__), USE, loc);
}

/* args: of a generic function, NULL otherwise */
static int enter_type_params(SymbolTable *st, PyObject *name, type_param_seq *params, arguments_ty args, bool is_class, Location loc)
{
    bool in_class = st->current->type == ClassBlock;
    TRY(block_enter(st, name, TypeParametersBlock, params, loc));
    if (in_class) TRY(use_classdict(st, loc));
    if (is_class) {
        TRY(add_special(st, ".type_params", DEF_LOCAL, loc));
        TRY(add_special(st, ".type_params", USE, loc));
        TRY(add_special(st, ".generic_base", DEF_LOCAL, loc));
        TRY(add_special(st, ".generic_base", USE, loc));
    }
    if (args) TRY(add_special(st, ".defaults", DEF_PARAM, loc));       /* there or not: CPython does so */
    if (args && has_kwonly_defaults(args)) TRY(add_special(st, ".kwdefaults", DEF_PARAM, loc));
    return 0;
}

static int visit_bound_or_default(SymbolTable *st, type_param_ty param, PyObject *name, expr_ty e, const void *key, const char *info)
{
    if (name == STR(__classdict__))
        return symtable_error(st, LOC(param), "reserved name '%U' cannot be used for type parameter", name);
    if (!e) return 0;
    bool in_class = st->current->can_see_class_scope;
    TRY(block_enter(st, name, TypeVariableBlock, key, LOC(e)));
    if (in_class) TRY(use_classdict(st, LOC(e)));
    st->current->scope_info = info;
    TRY(visit_expr(st, e));
    block_exit(st);
    return 0;
}

static int visit_type_param(SymbolTable *st, type_param_ty p)
{
    expr_ty bound;
    PyObject *name;
    switch (p->kind) {
    case TypeVar_kind:
        name = p->v.TypeVar.name;
        bound = p->v.TypeVar.bound;
        TRY(add_def(st, name, DEF_TYPE_PARAM | DEF_LOCAL, LOC(p)));
        TRY(visit_bound_or_default(st, p, name, bound, p, bound && bound->kind == Tuple_kind ? "a TypeVar constraint" : "a TypeVar bound"));
        return visit_bound_or_default(st, p, name, p->v.TypeVar.default_value, DEFAULT_KEY(p), "a TypeVar default");
    case TypeVarTuple_kind:
        name = p->v.TypeVarTuple.name;
        TRY(add_def(st, name, DEF_TYPE_PARAM | DEF_LOCAL, LOC(p)));
        return visit_bound_or_default(st, p, name, p->v.TypeVarTuple.default_value, p, "a TypeVarTuple default");
    case ParamSpec_kind:
        name = p->v.ParamSpec.name;
        TRY(add_def(st, name, DEF_TYPE_PARAM | DEF_LOCAL, LOC(p)));
        return visit_bound_or_default(st, p, name, p->v.ParamSpec.default_value, p, "a ParamSpec default");
    default:
        return 0;
    }
}

static int visit_type_params(SymbolTable *st, type_param_seq *seq)
{
    for (Py_ssize_t i = 0; i < seq_len(seq); i++) TRY(visit_type_param(st, seq_get(seq, i)));
    return 0;
}

/* ---- statements that open blocks ---------------------------------------------------------------------------------------- */

static int visit_function(SymbolTable *st, stmt_ty s)
{
    /* FunctionDef and AsyncFunctionDef have the same fields in the same places */
    arguments_ty args = s->v.FunctionDef.args;
    bool generic = seq_len(s->v.FunctionDef.type_params) > 0;
    TRY(add_def(st, s->v.FunctionDef.name, DEF_LOCAL, LOC(s)));
    TRY(visit_exprs(st, args->defaults));
    TRY(visit_exprs(st, args->kw_defaults));
    TRY(visit_exprs(st, s->v.FunctionDef.decorator_list));
    if (generic) {
        TRY(enter_type_params(st, s->v.FunctionDef.name, s->v.FunctionDef.type_params, args, false, LOC(s)));
        TRY(visit_type_params(st, s->v.FunctionDef.type_params));
    }
    TRY(visit_annotations(st, s, args, s->v.FunctionDef.returns));
    TRY(block_enter(st, s->v.FunctionDef.name, FunctionBlock, s, LOC(s)));
    if (s->kind == AsyncFunctionDef_kind) st->current->coroutine = true;
    TRY(visit_arguments(st, args));
    TRY(visit_stmts(st, s->v.FunctionDef.body));
    block_exit(st);
    if (generic) block_exit(st);
    return 0;
}

static int visit_class(SymbolTable *st, stmt_ty s)
{
    bool generic = seq_len(s->v.ClassDef.type_params) > 0;
    PyObject *outer_private = st->private;
    TRY(add_def(st, s->v.ClassDef.name, DEF_LOCAL, LOC(s)));
    TRY(visit_exprs(st, s->v.ClassDef.decorator_list));
    if (generic) {
        TRY(enter_type_params(st, s->v.ClassDef.name, s->v.ClassDef.type_params, NULL, true, LOC(s)));
        st->private = s->v.ClassDef.name;              /* the type parameters themselves are private to the class ... */
        if (!(st->current->mangled_names = arena_alloc(st->arena, sizeof(NameMap)))) return -1;   /* ... and nothing else is */
        TRY(visit_type_params(st, s->v.ClassDef.type_params));
    }
    TRY(visit_exprs(st, s->v.ClassDef.bases));
    TRY(visit_keywords(st, s->v.ClassDef.keywords));
    TRY(block_enter(st, s->v.ClassDef.name, ClassBlock, s, LOC(s)));
    st->private = s->v.ClassDef.name;
    if (generic) {
        TRY(add_def(st, STR(__type_params__), DEF_LOCAL, LOC(s)));
        TRY(add_special(st, ".type_params", USE, LOC(s)));
    }
    TRY(visit_stmts(st, s->v.ClassDef.body));
    block_exit(st);
    if (generic) block_exit(st);
    st->private = outer_private;
    return 0;
}

static int visit_type_alias(SymbolTable *st, stmt_ty s)
{
    expr_ty value = s->v.TypeAlias.value;
    TRY(visit_expr(st, s->v.TypeAlias.name));
    PyObject *name = s->v.TypeAlias.name->v.Name.id;
    bool in_class = st->current->type == ClassBlock, generic = seq_len(s->v.TypeAlias.type_params) > 0;
    if (generic) {
        TRY(enter_type_params(st, name, s->v.TypeAlias.type_params, NULL, false, LOC(s)));
        TRY(visit_type_params(st, s->v.TypeAlias.type_params));
    }
    TRY(block_enter(st, name, TypeAliasBlock, s, LOC(s)));
    if (in_class) TRY(use_classdict(st, LOC(value)));
    TRY(visit_expr(st, value));
    block_exit(st);
    if (generic) block_exit(st);
    return 0;
}

/* ---- declarations --------------------------------------------------------------------------------------------------- */

static int visit_declaration(SymbolTable *st, stmt_ty s, identifier_seq *names, int flag)
{
    const char *kind = flag == DEF_GLOBAL ? "global" : "nonlocal";
    for (Py_ssize_t i = 0; i < seq_len(names); i++) {
        PyObject *name = seq_get(names, i);
        int flags = symbol_flags(st, st->current, name);
        if (flags < 0) return -1;
        if (flags & DEF_PARAM) return symtable_error(st, LOC(s), "name '%U' is parameter and %s", name, kind);
        if (flags & USE) return symtable_error(st, LOC(s), "name '%U' is used prior to %s declaration", name, kind);
        if (flags & DEF_ANNOT) return symtable_error(st, LOC(s), "annotated name '%U' can't be %s", name, kind);
        if (flags & DEF_LOCAL) return symtable_error(st, LOC(s), "name '%U' is assigned to before %s declaration", name, kind);
        TRY(add_def(st, name, flag, LOC(s)));
        TRY(record_directive(st, name, LOC(s)));
    }
    return 0;
}

static int visit_ann_assign(SymbolTable *st, stmt_ty s)
{
    expr_ty target = s->v.AnnAssign.target, value = s->v.AnnAssign.value;
    st->current->annotations_used = true;
    if (target->kind == Name_kind) {
        PyObject *name = target->v.Name.id;
        int flags = symbol_flags(st, st->current, name);
        if (flags < 0) return -1;
        if ((flags & (DEF_GLOBAL | DEF_NONLOCAL)) && st->current != st->top && s->v.AnnAssign.simple)
            return symtable_error(st, LOC(s), "annotated name '%U' can't be %s", name, flags & DEF_GLOBAL ? "global" : "nonlocal");
        if (s->v.AnnAssign.simple) TRY(add_def(st, name, DEF_ANNOT | DEF_LOCAL, LOC(target)));
        else if (value) TRY(add_def(st, name, DEF_LOCAL, LOC(target)));
    }
    else TRY(visit_expr(st, target));
    TRY(visit_annotation(st, s->v.AnnAssign.annotation));
    return visit_optional(st, value);
}

static int visit_alias(SymbolTable *st, alias_ty a)
{
    PyObject *name = a->asname ? a->asname : a->name;
    if (PyUnicode_EqualToUTF8(name, "*")) {
        if (st->current->type == ModuleBlock) return 0;
        return symtable_error(st, LOC(a), "import * only allowed at module level");
    }
    Py_ssize_t dot = PyUnicode_FindChar(name, '.', 0, PyUnicode_GET_LENGTH(name), 1);
    if (dot >= 0) {                                    /* import a.b binds a */
        name = PyUnicode_Substring(name, 0, dot);
        if (!name) return -1;
        PyUnicode_InternInPlace(&name);
        TRY(arena_own(st->arena, name));
    }
    return add_def(st, name, DEF_IMPORT, LOC(a));
}

/* ---- patterns ----------------------------------------------------------------------------------------------------- */

static int visit_pattern(SymbolTable *st, pattern_ty p);

static int visit_patterns(SymbolTable *st, pattern_seq *seq)
{
    for (Py_ssize_t i = 0; i < seq_len(seq); i++) TRY(visit_pattern(st, seq_get(seq, i)));
    return 0;
}

static int visit_capture(SymbolTable *st, PyObject *name, pattern_ty p)
{
    return name ? add_def(st, name, DEF_LOCAL, LOC(p)) : 0;
}

static int visit_pattern_inner(SymbolTable *st, pattern_ty p)
{
    switch (p->kind) {
    case MatchValue_kind:
        return visit_expr(st, p->v.MatchValue.value);
    case MatchSequence_kind:
        return visit_patterns(st, p->v.MatchSequence.patterns);
    case MatchStar_kind:
        return visit_capture(st, p->v.MatchStar.name, p);
    case MatchMapping_kind:
        TRY(visit_exprs(st, p->v.MatchMapping.keys));
        TRY(visit_patterns(st, p->v.MatchMapping.patterns));
        return visit_capture(st, p->v.MatchMapping.rest, p);
    case MatchClass_kind:
        TRY(visit_expr(st, p->v.MatchClass.cls));
        TRY(visit_patterns(st, p->v.MatchClass.patterns));
        return visit_patterns(st, p->v.MatchClass.kwd_patterns);
    case MatchAs_kind:
        if (p->v.MatchAs.pattern) TRY(visit_pattern(st, p->v.MatchAs.pattern));
        return visit_capture(st, p->v.MatchAs.name, p);
    case MatchOr_kind:
        return visit_patterns(st, p->v.MatchOr.patterns);
    default:
        return 0;                                      /* MatchSingleton */
    }
}

static int visit_pattern(SymbolTable *st, pattern_ty p)
{
    if (Py_EnterRecursiveCall(" during compilation")) return -1;
    int status = visit_pattern_inner(st, p);
    Py_LeaveRecursiveCall();
    return status;
}

/* ---- statements ----------------------------------------------------------------------------------------------------- */

static int visit_try(SymbolTable *st, stmt_seq *body, excepthandler_seq *handlers, stmt_seq *orelse, stmt_seq *finalbody)
{
    TRY(visit_stmts(st, body));
    for (Py_ssize_t i = 0; i < seq_len(handlers); i++) {
        excepthandler_ty h = seq_get(handlers, i);
        TRY(visit_optional(st, h->v.ExceptHandler.type));
        if (h->v.ExceptHandler.name) TRY(add_def(st, h->v.ExceptHandler.name, DEF_LOCAL, LOC(h)));
        TRY(visit_stmts(st, h->v.ExceptHandler.body));
    }
    TRY(visit_stmts(st, orelse));
    return visit_stmts(st, finalbody);
}

static int visit_with(SymbolTable *st, withitem_seq *items, stmt_seq *body)
{
    for (Py_ssize_t i = 0; i < seq_len(items); i++) {
        TRY(visit_expr(st, seq_get(items, i)->context_expr));
        TRY(visit_optional(st, seq_get(items, i)->optional_vars));
    }
    return visit_stmts(st, body);
}

static int visit_match(SymbolTable *st, stmt_ty s)
{
    TRY(visit_expr(st, s->v.Match.subject));
    for (Py_ssize_t i = 0; i < seq_len(s->v.Match.cases); i++) {
        match_case_ty c = seq_get(s->v.Match.cases, i);
        TRY(visit_pattern(st, c->pattern));
        TRY(visit_optional(st, c->guard));
        TRY(visit_stmts(st, c->body));
    }
    return 0;
}

/* With PyCF_ALLOW_TOP_LEVEL_AWAIT an async statement makes the module a coroutine. */
static void note_async_statement(SymbolTable *st)
{
    if ((st->features & PyCF_ALLOW_TOP_LEVEL_AWAIT) && st->current->type == ModuleBlock) st->current->coroutine = true;
}

static int visit_stmt_inner(SymbolTable *st, stmt_ty s)
{
    switch (s->kind) {
    case FunctionDef_kind:
    case AsyncFunctionDef_kind:
        return visit_function(st, s);
    case ClassDef_kind:
        return visit_class(st, s);
    case TypeAlias_kind:
        return visit_type_alias(st, s);
    case Return_kind:
        if (!s->v.Return.value) return 0;
        TRY(visit_expr(st, s->v.Return.value));
        st->current->returns_value = true;
        return 0;
    case Delete_kind:
        return visit_exprs(st, s->v.Delete.targets);
    case Assign_kind:
        TRY(visit_exprs(st, s->v.Assign.targets));
        return visit_expr(st, s->v.Assign.value);
    case AnnAssign_kind:
        return visit_ann_assign(st, s);
    case AugAssign_kind:
        TRY(visit_expr(st, s->v.AugAssign.target));
        return visit_expr(st, s->v.AugAssign.value);
    case AsyncFor_kind:
        note_async_statement(st);
        FALLTHROUGH;
    case For_kind:                                     /* the fields of both lie alike */
        TRY(visit_expr(st, s->v.For.target));
        TRY(visit_expr(st, s->v.For.iter));
        TRY(visit_stmts(st, s->v.For.body));
        return visit_stmts(st, s->v.For.orelse);
    case While_kind:
        TRY(visit_expr(st, s->v.While.test));
        TRY(visit_stmts(st, s->v.While.body));
        return visit_stmts(st, s->v.While.orelse);
    case If_kind:
        TRY(visit_expr(st, s->v.If.test));
        TRY(visit_stmts(st, s->v.If.body));
        return visit_stmts(st, s->v.If.orelse);
    case Match_kind:
        return visit_match(st, s);
    case Raise_kind:
        TRY(visit_optional(st, s->v.Raise.exc));
        return visit_optional(st, s->v.Raise.cause);
    case Try_kind:
        return visit_try(st, s->v.Try.body, s->v.Try.handlers, s->v.Try.orelse, s->v.Try.finalbody);
    case TryStar_kind:
        return visit_try(st, s->v.TryStar.body, s->v.TryStar.handlers, s->v.TryStar.orelse, s->v.TryStar.finalbody);
    case Assert_kind:
        TRY(visit_expr(st, s->v.Assert.test));
        return visit_optional(st, s->v.Assert.msg);
    case Import_kind:
        for (Py_ssize_t i = 0; i < seq_len(s->v.Import.names); i++) TRY(visit_alias(st, seq_get(s->v.Import.names, i)));
        return 0;
    case ImportFrom_kind:
        for (Py_ssize_t i = 0; i < seq_len(s->v.ImportFrom.names); i++) TRY(visit_alias(st, seq_get(s->v.ImportFrom.names, i)));
        return 0;
    case Global_kind:
        return visit_declaration(st, s, s->v.Global.names, DEF_GLOBAL);
    case Nonlocal_kind:
        return visit_declaration(st, s, s->v.Nonlocal.names, DEF_NONLOCAL);
    case Expr_kind:
        return visit_expr(st, s->v.Expr.value);
    case AsyncWith_kind:
        note_async_statement(st);
        FALLTHROUGH;
    case With_kind:
        return visit_with(st, s->v.With.items, s->v.With.body);
    default:
        return 0;                                      /* Pass, Break, Continue */
    }
}

static int visit_stmt(SymbolTable *st, stmt_ty s)
{
    if (Py_EnterRecursiveCall(" during compilation")) return -1;
    int status = visit_stmt_inner(st, s);
    Py_LeaveRecursiveCall();
    return status;
}

/* ---- comprehensions and assignment expressions --------------------------------------------------------------------------- */

static int refuse_in_annotation(SymbolTable *st, const char *what, expr_ty e)
{
    switch (st->current->type) {
    case AnnotationBlock:
        return symtable_error(st, LOC(e), "%s cannot be used within an annotation", what);
    case TypeVariableBlock:
        return symtable_error(st, LOC(e), "%s cannot be used within %s", what, st->current->scope_info);
    case TypeAliasBlock:
        return symtable_error(st, LOC(e), "%s cannot be used within a type alias", what);
    case TypeParametersBlock:
        return symtable_error(st, LOC(e), "%s cannot be used within the definition of a generic", what);
    default:
        return 0;
    }
}

/* := in a comprehension binds in the nearest block that is not one. */
static int extend_named_expr(SymbolTable *st, expr_ty target)
{
    PyObject *name = target->v.Name.id;
    const char *within;
    for (Scope *s = st->current; s; s = s->parent) {
        int flags = symbol_flags(st, s, name);
        if (flags < 0) return -1;
        if (s->comprehension) {
            if ((flags & DEF_COMP_ITER) && (flags & (DEF_LOCAL | DEF_GLOBAL)))
                return symtable_error(st, LOC(target), "assignment expression cannot rebind comprehension iteration variable '%U'", name);
            continue;
        }
        switch (s->type) {
        case FunctionBlock:
            TRY(add_def(st, name, flags & DEF_GLOBAL ? DEF_GLOBAL : DEF_NONLOCAL, LOC(target)));
            TRY(record_directive(st, name, LOC(target)));
            return add_def_to(st, s, name, DEF_LOCAL, LOC(target));
        case ModuleBlock:
            TRY(add_def(st, name, DEF_GLOBAL, LOC(target)));
            TRY(record_directive(st, name, LOC(target)));
            return add_def_to(st, s, name, DEF_GLOBAL, LOC(target));
        case ClassBlock:          within = "in a class body"; break;
        case TypeParametersBlock: within = "within the definition of a generic"; break;
        case TypeAliasBlock:      within = "in a type alias"; break;
        case TypeVariableBlock:   within = "in a TypeVar bound"; break;
        default: continue;
        }
        return symtable_error(st, LOC(target), "assignment expression within a comprehension cannot be used %s", within);
    }
    return 0;
}

static int visit_named_expr(SymbolTable *st, expr_ty e)
{
    TRY(refuse_in_annotation(st, "named expression", e));
    if (st->current->comp_iter_expr > 0)
        return symtable_error(st, LOC(e), "assignment expression cannot be used in a comprehension iterable expression");
    if (st->current->comprehension) TRY(extend_named_expr(st, e->v.NamedExpr.target));
    TRY(visit_expr(st, e->v.NamedExpr.value));
    return visit_expr(st, e->v.NamedExpr.target);
}

static int visit_iterable(SymbolTable *st, expr_ty iter)
{
    st->current->comp_iter_expr++;
    TRY(visit_expr(st, iter));
    st->current->comp_iter_expr--;
    return 0;
}

static int visit_target(SymbolTable *st, expr_ty target)
{
    st->current->comp_iter_target = true;
    TRY(visit_expr(st, target));
    st->current->comp_iter_target = false;
    return 0;
}

static int visit_comprehension(SymbolTable *st, expr_ty e, PyObject *name, ComprehensionType type, comprehension_seq *generators,
                               expr_ty element, expr_ty value)
{
    comprehension_ty outermost = seq_get(generators, 0);
    TRY(visit_iterable(st, outermost->iter));          /* evaluated outside */
    TRY(block_enter(st, name, FunctionBlock, e, LOC(e)));
    Scope *scope = st->current;
    scope->comprehension = type;
    scope->coroutine = outermost->is_async;
    TRY(add_special(st, ".0", DEF_PARAM, LOC(e)));
    TRY(visit_target(st, outermost->target));
    TRY(visit_exprs(st, outermost->ifs));
    for (Py_ssize_t i = 1; i < seq_len(generators); i++) {
        comprehension_ty c = seq_get(generators, i);
        TRY(visit_target(st, c->target));
        TRY(visit_iterable(st, c->iter));
        TRY(visit_exprs(st, c->ifs));
        if (c->is_async) scope->coroutine = true;
    }
    if (value) TRY(visit_expr(st, value));
    TRY(visit_expr(st, element));
    scope->generator = type == GeneratorExpression;
    block_exit(st);
    if (scope->coroutine && !scope->generator) st->current->coroutine = true;
    return 0;
}

static int refuse_in_comprehension(SymbolTable *st, expr_ty e)
{
    static const char *const kind[] = {
        [ListComprehension] = "list comprehension", [SetComprehension] = "set comprehension",
        [DictComprehension] = "dict comprehension", [GeneratorExpression] = "generator expression",
    };
    return symtable_error(st, LOC(e), "'yield' inside %s", kind[st->current->comprehension]);
}

static int visit_yield(SymbolTable *st, expr_ty e, expr_ty value)
{
    TRY(refuse_in_annotation(st, "yield expression", e));
    TRY(visit_optional(st, value));
    st->current->generator = true;
    return st->current->comprehension ? refuse_in_comprehension(st, e) : 0;
}

/* ---- expressions ------------------------------------------------------------------------------------------------------ */

static int visit_lambda(SymbolTable *st, expr_ty e)
{
    TRY(visit_exprs(st, e->v.Lambda.args->defaults));
    TRY(visit_exprs(st, e->v.Lambda.args->kw_defaults));
    TRY(block_enter(st, STR(lambda), FunctionBlock, e, LOC(e)));
    TRY(visit_arguments(st, e->v.Lambda.args));
    TRY(visit_expr(st, e->v.Lambda.body));
    block_exit(st);
    return 0;
}

static int visit_name(SymbolTable *st, expr_ty e)
{
    bool load = e->v.Name.ctx == Load;
    TRY(add_def(st, e->v.Name.id, load ? USE : DEF_LOCAL, LOC(e)));
    if (load && e->v.Name.id == STR(super) && scope_is_function_like(st->current))
        return add_def(st, STR(__class__), USE, LOC(e));       /* super() needs it */
    return 0;
}

static int visit_expr_inner(SymbolTable *st, expr_ty e)
{
    switch (e->kind) {
    case NamedExpr_kind:
        return visit_named_expr(st, e);
    case BoolOp_kind:
        return visit_exprs(st, e->v.BoolOp.values);
    case BinOp_kind:
        TRY(visit_expr(st, e->v.BinOp.left));
        return visit_expr(st, e->v.BinOp.right);
    case UnaryOp_kind:
        return visit_expr(st, e->v.UnaryOp.operand);
    case Lambda_kind:
        return visit_lambda(st, e);
    case IfExp_kind:
        TRY(visit_expr(st, e->v.IfExp.test));
        TRY(visit_expr(st, e->v.IfExp.body));
        return visit_expr(st, e->v.IfExp.orelse);
    case Dict_kind:
        TRY(visit_exprs(st, e->v.Dict.keys));
        return visit_exprs(st, e->v.Dict.values);
    case Set_kind:
        return visit_exprs(st, e->v.Set.elts);
    case GeneratorExp_kind:
        return visit_comprehension(st, e, STR(genexpr), GeneratorExpression, e->v.GeneratorExp.generators, e->v.GeneratorExp.elt, NULL);
    case ListComp_kind:
        return visit_comprehension(st, e, STR(listcomp), ListComprehension, e->v.ListComp.generators, e->v.ListComp.elt, NULL);
    case SetComp_kind:
        return visit_comprehension(st, e, STR(setcomp), SetComprehension, e->v.SetComp.generators, e->v.SetComp.elt, NULL);
    case DictComp_kind:
        return visit_comprehension(st, e, STR(dictcomp), DictComprehension, e->v.DictComp.generators, e->v.DictComp.key,
                                   e->v.DictComp.value);
    case Yield_kind:
        return visit_yield(st, e, e->v.Yield.value);
    case YieldFrom_kind:
        return visit_yield(st, e, e->v.YieldFrom.value);
    case Await_kind:
        TRY(refuse_in_annotation(st, "await expression", e));
        TRY(visit_expr(st, e->v.Await.value));
        st->current->coroutine = true;
        return 0;
    case Compare_kind:
        TRY(visit_expr(st, e->v.Compare.left));
        return visit_exprs(st, e->v.Compare.comparators);
    case Call_kind:
        TRY(visit_expr(st, e->v.Call.func));
        TRY(visit_exprs(st, e->v.Call.args));
        return visit_keywords(st, e->v.Call.keywords);
    case FormattedValue_kind:
        TRY(visit_expr(st, e->v.FormattedValue.value));
        return visit_optional(st, e->v.FormattedValue.format_spec);
    case JoinedStr_kind:
        return visit_exprs(st, e->v.JoinedStr.values);
    case Attribute_kind:
        return visit_expr(st, e->v.Attribute.value);
    case Subscript_kind:
        TRY(visit_expr(st, e->v.Subscript.value));
        return visit_expr(st, e->v.Subscript.slice);
    case Starred_kind:
        return visit_expr(st, e->v.Starred.value);
    case Slice_kind:
        TRY(visit_optional(st, e->v.Slice.lower));
        TRY(visit_optional(st, e->v.Slice.upper));
        return visit_optional(st, e->v.Slice.step);
    case Name_kind:
        return visit_name(st, e);
    case List_kind:
        return visit_exprs(st, e->v.List.elts);
    case Tuple_kind:
        return visit_exprs(st, e->v.Tuple.elts);
    default:
        return 0;                                      /* Constant */
    }
}

static int visit_expr(SymbolTable *st, expr_ty e)
{
    if (e->kind == Name_kind) return visit_name(st, e);        /* the leaves: most calls */
    if (e->kind == Constant_kind) return 0;
    if (Py_EnterRecursiveCall(" during compilation")) return -1;
    int status = visit_expr_inner(st, e);
    Py_LeaveRecursiveCall();
    return status;
}

/* ---- the whole ---------------------------------------------------------------------------------------------------- */

int symtable_build(SymbolTable *st, mod_ty tree, PyObject *filename, int features, Arena *arena)
{
    *st = (SymbolTable){ .arena = arena, .filename = filename, .features = features };
    TRY(block_enter(st, STR(top), ModuleBlock, tree, (Location){0, 0, 0, 0}));
    st->top = st->current;
    switch (tree->kind) {
    case Module_kind:
        TRY(visit_stmts(st, tree->v.Module.body));
        break;
    case Interactive_kind:
        TRY(visit_stmts(st, tree->v.Interactive.body));
        break;
    case Expression_kind:
        TRY(visit_expr(st, tree->v.Expression.body));
        break;
    default:
        PyErr_SetString(PyExc_RuntimeError, "this compiler does not handle FunctionTypes");
        return -1;
    }
    block_exit(st);
    return symtable_analyze(st);
}
