/* Code for what makes functions and classes: def, lambda, class, type aliases, type parameters (PEP 695 and 696), defaults,
 * annotations, decorators, closures. A generic definition runs in a scope of its own, a function called at once. */
#include "compile/codegen_private.h"

/* ---- closures ------------------------------------------------------------------------------------------------------------- */

int meaning_of(Compiler *c, PyObject *name)
{
    if (c->u->kind == UNIT_CLASS && (name == STR(__class__) || name == STR(__classdict__))) return CELL_SCOPE;
    int meaning = scope_lookup(c->u->scope, name);
    if (meaning) return meaning;
    PyErr_Format(PyExc_SystemError, "compiler: the scope of %R in %R is unknown", name, c->u->meta.name);
    return -1;
}

static int emit_cells_of(Compiler *c, Location loc, PyCodeObject *code)
{
    int first = PyUnstable_Code_GetFirstFree(code);
    for (int i = first; i < code->co_nlocalsplus; i++) {
        PyObject *name = PyTuple_GET_ITEM(code->co_localsplusnames, i);
        int meaning = meaning_of(c, name);
        if (meaning < 0) return -1;
        int cell = namemap_get(meaning == CELL_SCOPE ? &c->u->meta.cellvars : &c->u->meta.freevars, name, -1);
        if (cell < 0) {
            PyErr_Format(PyExc_SystemError, "compiler: no cell in %R for the free variable %R of %R", c->u->meta.name, name,
                         code->co_name);
            return -1;
        }
        TRY(emit_arg(c, loc, LOAD_CLOSURE, cell));
    }
    return emit_arg(c, loc, BUILD_TUPLE, code->co_nfreevars);
}

/* flags: which of the attributes lie on the stack, FUNCTION_DEFAULTS lowest */
int emit_closure(Compiler *c, Location loc, PyObject *code, int flags)
{
    if (!code) return -1;
    if (((PyCodeObject *)code)->co_nfreevars) {
        flags |= FUNCTION_CLOSURE;
        if (emit_cells_of(c, loc, (PyCodeObject *)code) < 0) {
            Py_DECREF(code);
            return -1;
        }
    }
    TRY(emit_const_new(c, loc, code));
    TRY(emit(c, loc, MAKE_FUNCTION));
    for (int flag = FUNCTION_CLOSURE; flag; flag >>= 1)
        if (flags & flag) TRY(emit_arg(c, loc, SET_FUNCTION_ATTRIBUTE, flag));
    return 0;
}

/* ---- decorators, defaults, annotations ----------------------------------------------------------------------------------------- */

static int apply_decorators(Compiler *c, expr_seq *decorators)
{
    for (Py_ssize_t i = seq_len(decorators); i-- > 0;) TRY(emit_arg(c, LOC(seq_get(decorators, i)), CALL, 0));
    return 0;
}

static int first_line_of(expr_seq *decorators, int lineno) { return seq_len(decorators) ? seq_get(decorators, 0)->lineno : lineno; }

/* 1 when a dict was left on the stack */
static int gen_keyword_defaults(Compiler *c, Location loc, arg_seq *params, expr_seq *defaults)
{
    Py_ssize_t count = 0, n = seq_len(params);
    PyObject *names = NULL;
    for (Py_ssize_t i = 0; i < n; i++) count += seq_get(defaults, i) != NULL;
    if (!count) return 0;
    if (!(names = PyTuple_New(count))) return -1;
    for (Py_ssize_t i = 0, at = 0; i < n; i++) {
        expr_ty e = seq_get(defaults, i);
        if (!e) continue;
        PyObject *mangled = unit_mangle(c, seq_get(params, i)->arg);
        if (!mangled) goto error;
        PyTuple_SET_ITEM(names, at++, Py_NewRef(mangled));
        if (gen_expr(c, e) < 0) goto error;
    }
    TRY(emit_const_new(c, loc, names));
    TRY(emit_arg(c, loc, BUILD_CONST_KEY_MAP, count));
    return 1;
error:
    Py_DECREF(names);
    return -1;
}

/* Leaves a tuple, a dict, both or none; returns flags. */
static int gen_defaults(Compiler *c, Location loc, arguments_ty args)
{
    int flags = 0;
    if (seq_len(args->defaults)) {
        TRY(gen_exprs(c, args->defaults));
        TRY(emit_arg(c, loc, BUILD_TUPLE, seq_len(args->defaults)));
        flags |= FUNCTION_DEFAULTS;
    }
    if (seq_len(args->kwonlyargs)) {
        int left = gen_keyword_defaults(c, loc, args->kwonlyargs, args->kw_defaults);
        if (left < 0) return -1;
        if (left) flags |= FUNCTION_KWDEFAULTS;
    }
    return flags;
}

int gen_annotation_text(Compiler *c, expr_ty annotation)
{
    return emit_const_new(c, LOC(annotation), tree_unparse_expr(annotation));
}

/* Pushes the name and the annotation. *count: values pushed so far */
static int gen_annotation(Compiler *c, Location loc, PyObject *name, expr_ty annotation, Py_ssize_t *count)
{
    if (!annotation) return 0;
    if (!(name = unit_mangle(c, name))) return -1;
    TRY(emit_const(c, loc, name));
    *count += 2;
    if (c->flags & CO_FUTURE_ANNOTATIONS) return gen_annotation_text(c, annotation);
    if (annotation->kind != Starred_kind) return gen_expr(c, annotation);
    TRY(gen_expr(c, annotation->v.Starred.value));     /* *args: *Ts */
    return emit_arg(c, loc, UNPACK_SEQUENCE, 1);
}

static int gen_param_annotations(Compiler *c, Location loc, arg_seq *params, Py_ssize_t *count)
{
    for (Py_ssize_t i = 0; i < seq_len(params); i++)
        TRY(gen_annotation(c, loc, seq_get(params, i)->arg, seq_get(params, i)->annotation, count));
    return 0;
}

static int gen_annotations(Compiler *c, Location loc, arguments_ty args, expr_ty returns)
{
    Py_ssize_t count = 0;
    TRY(gen_param_annotations(c, loc, args->args, &count));
    TRY(gen_param_annotations(c, loc, args->posonlyargs, &count));
    if (args->vararg) TRY(gen_annotation(c, loc, args->vararg->arg, args->vararg->annotation, &count));
    TRY(gen_param_annotations(c, loc, args->kwonlyargs, &count));
    if (args->kwarg) TRY(gen_annotation(c, loc, args->kwarg->arg, args->kwarg->annotation, &count));
    if (returns) TRY(gen_annotation(c, loc, compiler_intern(c, "return"), returns, &count));
    if (!count) return 0;
    TRY(emit_arg(c, loc, BUILD_TUPLE, count));
    return FUNCTION_ANNOTATIONS;
}

static int refuse_debug_params(Compiler *c, arg_seq *params)
{
    for (Py_ssize_t i = 0; i < seq_len(params); i++)
        TRY(refuse_debug(c, LOC(seq_get(params, i)), seq_get(params, i)->arg, Store));
    return 0;
}

static int check_params(Compiler *c, arguments_ty args)
{
    TRY(refuse_debug_params(c, args->args));
    TRY(refuse_debug_params(c, args->posonlyargs));
    if (args->vararg) TRY(refuse_debug(c, LOC(args->vararg), args->vararg->arg, Store));
    TRY(refuse_debug_params(c, args->kwonlyargs));
    return args->kwarg ? refuse_debug(c, LOC(args->kwarg), args->kwarg->arg, Store) : 0;
}

static void set_parameter_counts(CodeMeta *meta, arguments_ty args)
{
    meta->argcount = (int)seq_len(args->args);
    meta->posonlyargcount = (int)seq_len(args->posonlyargs);
    meta->kwonlyargcount = (int)seq_len(args->kwonlyargs);
}

/* ---- type parameters --------------------------------------------------------------------------------------------------------------- */

/* A bound or default is evaluated when asked for: a function of its own. */
static int gen_lazily(Compiler *c, expr_ty e, PyObject *name, const void *key, bool may_be_starred)
{
    TRY(unit_enter(c, name, UNIT_TYPE_PARAMS, key, e->lineno, NULL));
    if (may_be_starred && e->kind == Starred_kind) {
        TRY(gen_expr(c, e->v.Starred.value));
        TRY(emit_arg(c, LOC(e), UNPACK_SEQUENCE, 1));
    }
    else TRY(gen_expr(c, e));
    TRY(emit(c, LOC(e), RETURN_VALUE));
    return emit_closure(c, LOC(e), unit_finish(c, true), 0);
}

static int gen_type_param(Compiler *c, type_param_ty p, bool *default_seen)
{
    Location loc = LOC(p);
    PyObject *name = p->v.TypeVar.name;                /* all kinds begin with it */
    expr_ty bound = p->kind == TypeVar_kind ? p->v.TypeVar.bound : NULL, value;
    const void *default_key = p;
    TRY(emit_const(c, loc, name));
    switch (p->kind) {
    case TypeVar_kind:
        value = p->v.TypeVar.default_value;
        default_key = DEFAULT_KEY(p);
        if (bound) {
            TRY(gen_lazily(c, bound, name, p, false));
            TRY(emit_arg(c, loc, CALL_INTRINSIC_2,
                         bound->kind == Tuple_kind ? INTRINSIC_TYPEVAR_WITH_CONSTRAINTS : INTRINSIC_TYPEVAR_WITH_BOUND));
        }
        else TRY(emit_arg(c, loc, CALL_INTRINSIC_1, INTRINSIC_TYPEVAR));
        break;
    case TypeVarTuple_kind:
        value = p->v.TypeVarTuple.default_value;
        TRY(emit_arg(c, loc, CALL_INTRINSIC_1, INTRINSIC_TYPEVARTUPLE));
        break;
    default:
        value = p->v.ParamSpec.default_value;
        TRY(emit_arg(c, loc, CALL_INTRINSIC_1, INTRINSIC_PARAMSPEC));
    }
    if (value) {
        TRY(gen_lazily(c, value, name, default_key, p->kind == TypeVarTuple_kind));
        TRY(emit_arg(c, loc, CALL_INTRINSIC_2, INTRINSIC_SET_TYPEPARAM_DEFAULT));
        *default_seen = true;
    }
    else if (*default_seen) return ERROR_AT(c, loc, "non-default type parameter '%U' follows default type parameter", name);
    TRY(emit_arg(c, loc, COPY, 1));
    return emit_variable(c, loc, name, Store);
}

static int gen_type_params(Compiler *c, type_param_seq *params)
{
    bool default_seen = false;
    for (Py_ssize_t i = 0; i < seq_len(params); i++) TRY(gen_type_param(c, seq_get(params, i), &default_seen));
    return emit_arg(c, LOC(seq_get(params, 0)), BUILD_TUPLE, seq_len(params));
}

static int enter_generic(Compiler *c, PyObject *name, type_param_seq *params, int first_line, PyObject *private)
{
    PyObject *text = compiler_own_name(c, PyUnicode_FromFormat("<generic parameters of %U>", name));
    return unit_enter(c, text, UNIT_TYPE_PARAMS, params, first_line, private);
}

/* ---- functions ------------------------------------------------------------------------------------------------------------------------ */

static PyObject *function_docstring(Compiler *c, stmt_seq *body, Py_ssize_t *first)
{
    PyObject *docstring = tree_docstring(body);
    *first = docstring ? 1 : 0;
    if (!docstring || c->optimize >= 2) return Py_NewRef(Py_None);
    return compile_clean_doc(docstring);
}

static int gen_function_body(Compiler *c, stmt_ty s, int flags, int first_line)
{
    bool async = s->kind == AsyncFunctionDef_kind;
    arguments_ty args = s->v.FunctionDef.args;
    stmt_seq *body = s->v.FunctionDef.body;
    Py_ssize_t first;
    TRY(unit_enter(c, s->v.FunctionDef.name, async ? UNIT_ASYNC_FUNCTION : UNIT_FUNCTION, s, first_line, NULL));
    PyObject *docstring = function_docstring(c, body, &first);
    if (!docstring) return -1;
    int status = unit_const_first(c, docstring);
    Py_DECREF(docstring);
    TRY(status);
    set_parameter_counts(&c->u->meta, args);
    NEW_LABEL(c, start);
    place(c, start);
    bool suspends = c->u->scope->coroutine || c->u->scope->generator;
    if (suspends) TRY(open_block(c, NO_LOCATION, BLOCK_STOP_ITERATION, start, NO_LABEL, NULL));
    for (Py_ssize_t i = first; i < seq_len(body); i++) TRY(gen_stmt(c, seq_get(body, i)));
    if (suspends) {
        TRY(wrap_stop_iteration(c));
        close_block(c);
    }
    return emit_closure(c, LOC(s), unit_finish(c, true), flags);
}

/* The scope of type parameters takes the defaults as arguments: they are evaluated outside of it. */
static int leave_generic_function(Compiler *c, Location loc, int ndefaults)
{
    TRY(emit_arg(c, loc, SWAP, 2));
    TRY(emit_arg(c, loc, CALL_INTRINSIC_2, INTRINSIC_SET_FUNCTION_TYPE_PARAMS));
    c->u->meta.argcount = ndefaults;
    TRY(emit_closure(c, loc, unit_finish(c, false), 0));
    if (!ndefaults) {
        TRY(emit(c, loc, PUSH_NULL));
        return emit_arg(c, loc, CALL, 0);
    }
    TRY(emit_arg(c, loc, SWAP, ndefaults + 1));
    return emit_arg(c, loc, CALL, ndefaults - 1);
}

int gen_function(Compiler *c, stmt_ty s)
{
    Location loc = LOC(s);
    arguments_ty args = s->v.FunctionDef.args;
    expr_seq *decorators = s->v.FunctionDef.decorator_list;
    type_param_seq *params = s->v.FunctionDef.type_params;
    int first_line = first_line_of(decorators, s->lineno), ndefaults = 0;
    TRY(check_params(c, args));
    TRY(gen_exprs(c, decorators));
    int flags = gen_defaults(c, loc, args);
    TRY(flags);
    if (seq_len(params)) {
        ndefaults = ((flags & FUNCTION_DEFAULTS) != 0) + ((flags & FUNCTION_KWDEFAULTS) != 0);
        if (ndefaults == 2) TRY(emit_arg(c, loc, SWAP, 2));
        TRY(enter_generic(c, s->v.FunctionDef.name, params, first_line, NULL));
        TRY(gen_type_params(c, params));
        for (int i = 0; i < ndefaults; i++) TRY(emit_arg(c, loc, LOAD_FAST, i));
    }
    int annotations = gen_annotations(c, loc, args, s->v.FunctionDef.returns);
    TRY(annotations);
    TRY(gen_function_body(c, s, flags | annotations, first_line));
    if (seq_len(params)) TRY(leave_generic_function(c, loc, ndefaults));
    TRY(apply_decorators(c, decorators));
    return emit_variable(c, loc, s->v.FunctionDef.name, Store);
}

int gen_lambda(Compiler *c, expr_ty e)
{
    arguments_ty args = e->v.Lambda.args;
    TRY(check_params(c, args));
    int flags = gen_defaults(c, LOC(e), args);
    TRY(flags);
    TRY(unit_enter(c, compiler_intern(c, "<lambda>"), UNIT_LAMBDA, e, e->lineno, NULL));
    TRY(unit_const_first(c, Py_None));                 /* not a docstring */
    set_parameter_counts(&c->u->meta, args);
    TRY(gen_expr(c, e->v.Lambda.body));
    bool generator = c->u->scope->generator;
    if (!generator) TRY(emit(c, LOC(e->v.Lambda.body), RETURN_VALUE));
    return emit_closure(c, LOC(e), unit_finish(c, !generator), flags);
}

/* ---- classes ---------------------------------------------------------------------------------------------------------------------------- */

static int emit_store_const(Compiler *c, Location loc, PyObject *value, PyObject *name)        /* value: STOLEN */
{
    TRY(emit_const_new(c, loc, value));
    return emit_variable(c, loc, name, Store);
}

static int gen_class_head(Compiler *c, Location loc, stmt_ty s)
{
    TRY(emit_variable(c, loc, STR(__name__), Load));
    TRY(emit_variable(c, loc, STR(__module__), Store));
    TRY(emit_store_const(c, loc, Py_NewRef(c->u->meta.qualname), STR(__qualname__)));
    TRY(emit_store_const(c, loc, PyLong_FromLong(c->u->meta.firstlineno), STR(__firstlineno__)));
    if (seq_len(s->v.ClassDef.type_params)) {
        TRY(emit_variable(c, loc, compiler_intern(c, ".type_params"), Load));
        TRY(emit_variable(c, loc, STR(__type_params__), Store));
    }
    if (!c->u->scope->needs_classdict) return 0;
    TRY(emit(c, loc, LOAD_LOCALS));
    return emit_arg(c, loc, STORE_DEREF, namemap_get(&c->u->meta.cellvars, STR(__classdict__), 0));
}

/* What __build_class__ and type.__new__ look for at the end. */
static int gen_class_tail(Compiler *c)
{
    NameMap *attributes = &c->u->static_attributes;
    names_sort(attributes->keys, attributes->count);
    TRY(emit_store_const(c, NO_LOCATION, names_tuple(attributes->keys, attributes->count), STR(__static_attributes__)));
    if (c->u->scope->needs_classdict) {
        TRY(emit_arg(c, NO_LOCATION, LOAD_CLOSURE, namemap_get(&c->u->meta.cellvars, STR(__classdict__), 0)));
        TRY(emit_variable(c, NO_LOCATION, STR(__classdictcell__), Store));
    }
    if (!c->u->scope->needs_class_closure) TRY(emit_const(c, NO_LOCATION, Py_None));
    else {
        TRY(emit_arg(c, NO_LOCATION, LOAD_CLOSURE, namemap_get(&c->u->meta.cellvars, STR(__class__), 0)));
        TRY(emit_arg(c, NO_LOCATION, COPY, 1));
        TRY(emit_variable(c, NO_LOCATION, STR(__classcell__), Store));
    }
    return emit(c, NO_LOCATION, RETURN_VALUE);
}

/* -> [__build_class__, NULL, body function, name] */
static int gen_class_body(Compiler *c, stmt_ty s, int first_line)
{
    PyObject *name = s->v.ClassDef.name;
    TRY(unit_enter(c, name, UNIT_CLASS, s, first_line, name));
    Location loc = { first_line, 0, first_line, 0 };
    TRY(gen_class_head(c, loc, s));
    TRY(gen_body(c, loc, s->v.ClassDef.body));
    TRY(gen_class_tail(c));
    PyObject *code = unit_finish(c, true);
    if (!code) return -1;
    loc = LOC(s);                                      /* not that of a decorator */
    if (emit(c, loc, LOAD_BUILD_CLASS) < 0 || emit(c, loc, PUSH_NULL) < 0) {
        Py_DECREF(code);
        return -1;
    }
    TRY(emit_closure(c, loc, code, 0));
    return emit_const(c, loc, name);
}

int gen_class(Compiler *c, stmt_ty s)
{
    Location loc = LOC(s);
    expr_seq *decorators = s->v.ClassDef.decorator_list;
    type_param_seq *params = s->v.ClassDef.type_params;
    int first_line = first_line_of(decorators, s->lineno);
    TRY(gen_exprs(c, decorators));
    if (!seq_len(params)) {
        TRY(gen_class_body(c, s, first_line));
        TRY(gen_call_arguments(c, loc, 2, s->v.ClassDef.bases, NULL, s->v.ClassDef.keywords));
    }
    else {
        PyObject *type_params = compiler_intern(c, ".type_params"), *base = compiler_intern(c, ".generic_base");
        if (!type_params || !base) return -1;
        TRY(enter_generic(c, s->v.ClassDef.name, params, first_line, s->v.ClassDef.name));
        TRY(gen_type_params(c, params));
        TRY(emit_variable(c, loc, type_params, Store));
        TRY(gen_class_body(c, s, first_line));
        TRY(emit_variable(c, loc, type_params, Load));
        TRY(emit_arg(c, loc, CALL_INTRINSIC_1, INTRINSIC_SUBSCRIPT_GENERIC));
        TRY(emit_variable(c, loc, base, Store));
        TRY(gen_call_arguments(c, loc, 2, s->v.ClassDef.bases, base, s->v.ClassDef.keywords));
        TRY(emit_closure(c, loc, unit_finish(c, false), 0));
        TRY(emit(c, loc, PUSH_NULL));
        TRY(emit_arg(c, loc, CALL, 0));
    }
    TRY(apply_decorators(c, decorators));
    return emit_variable(c, loc, s->v.ClassDef.name, Store);
}

/* ---- type aliases ------------------------------------------------------------------------------------------------------------------------- */

static int gen_type_alias_value(Compiler *c, stmt_ty s, PyObject *name)
{
    Location loc = LOC(s);
    TRY(unit_enter(c, name, UNIT_FUNCTION, s, s->lineno, NULL));
    TRY(unit_const_first(c, Py_None));
    TRY(gen_expr(c, s->v.TypeAlias.value));
    TRY(emit(c, loc, RETURN_VALUE));
    TRY(emit_closure(c, loc, unit_finish(c, false), 0));
    TRY(emit_arg(c, loc, BUILD_TUPLE, 3));
    return emit_arg(c, loc, CALL_INTRINSIC_1, INTRINSIC_TYPEALIAS);
}

int gen_type_alias(Compiler *c, stmt_ty s)
{
    Location loc = LOC(s);
    type_param_seq *params = s->v.TypeAlias.type_params;
    PyObject *name = s->v.TypeAlias.name->v.Name.id;
    if (!seq_len(params)) {
        TRY(emit_const(c, loc, name));
        TRY(emit_const(c, loc, Py_None));
        TRY(gen_type_alias_value(c, s, name));
    }
    else {
        TRY(enter_generic(c, name, params, s->lineno, NULL));
        TRY(emit_const(c, loc, name));
        TRY(gen_type_params(c, params));
        TRY(gen_type_alias_value(c, s, name));
        TRY(emit_closure(c, loc, unit_finish(c, false), 0));
        TRY(emit(c, loc, PUSH_NULL));
        TRY(emit_arg(c, loc, CALL, 0));
    }
    return emit_variable(c, loc, name, Store);
}
