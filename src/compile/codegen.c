/* The frame of code generation: units, emitting instructions, what a name compiles to, from a tree to its code object.
 * Read next: codegen_stmt.c, codegen_expr.c. */
#include "compile/codegen_private.h"

/* ---- small things ---------------------------------------------------------------------------------------------------- */

PyObject *compiler_own_name(Compiler *c, PyObject *name)
{
    if (!name) return NULL;
    PyUnicode_InternInPlace(&name);
    return arena_own(c->arena, name) < 0 ? NULL : name;
}

PyObject *compiler_intern(Compiler *c, const char *text) { return compiler_own_name(c, PyUnicode_InternFromString(text)); }

PyObject *names_tuple(PyObject *const *names, Py_ssize_t count)
{
    PyObject *tuple = PyTuple_New(count);
    if (!tuple) return NULL;
    for (Py_ssize_t i = 0; i < count; i++) PyTuple_SET_ITEM(tuple, i, Py_NewRef(names[i]));
    return tuple;
}

bool top_level_await(const Compiler *c)
{
    return (c->flags & PyCF_ALLOW_TOP_LEVEL_AWAIT) && c->u->scope->type == ModuleBlock;
}

PyObject *unit_mangle(Compiler *c, PyObject *name) { return mangle_maybe(c->arena, c->u->private, c->u->scope, name); }

int refuse_debug(Compiler *c, Location loc, PyObject *name, expr_context_ty ctx)
{
    if (name != STR(__debug__) || ctx == Load) return 0;
    return ERROR_AT(c, loc, ctx == Store ? "cannot assign to __debug__" : "cannot delete __debug__");
}

/* ---- instructions ----------------------------------------------------------------------------------------------------- */

int emit_arg(Compiler *c, Location loc, int opcode, Py_ssize_t arg)
{
    if (UNLIKELY(arg > INT_MAX)) {
        PyErr_SetString(PyExc_OverflowError, "instruction argument too large");
        return -1;
    }
    return instrs_add(&c->u->instrs, opcode, (int)arg, loc);
}

int emit(Compiler *c, Location loc, int opcode) { return instrs_add(&c->u->instrs, opcode, 0, loc); }
int emit_jump(Compiler *c, Location loc, int opcode, Label target) { return instrs_add(&c->u->instrs, opcode, target, loc); }

int emit_label(Compiler *c, Label *label)
{
    *label = instrs_new_label(&c->u->instrs);
    return *label < 0 ? -1 : 0;
}

static int unit_add_const(Compiler *c, PyObject *value)         /* STEALS; index */
{
    value = const_cache_merge_deep(&c->consts, value);
    return value ? meta_add_const(c->arena, &c->u->meta, value) : -1;
}

int unit_const_first(Compiler *c, PyObject *value)
{
    TRY(unit_add_const(c, Py_NewRef(value)));
    return 0;
}

int emit_const_new(Compiler *c, Location loc, PyObject *value)
{
    int index = unit_add_const(c, value);
    return index < 0 ? -1 : emit_arg(c, loc, LOAD_CONST, index);
}

int emit_const(Compiler *c, Location loc, PyObject *value) { return emit_const_new(c, loc, Py_NewRef(value)); }
int emit_const_int(Compiler *c, Location loc, Py_ssize_t value) { return emit_const_new(c, loc, PyLong_FromSsize_t(value)); }

int emit_named_plain(Compiler *c, Location loc, int opcode, PyObject *name)
{
    Py_ssize_t index = name ? namemap_number(c->arena, &c->u->meta.names, name) : -1;
    if (index < 0) return -1;
    switch (opcode) {                                  /* pseudo instructions that are flags of a real one */
    case LOAD_ATTR:              index <<= 1; break;
    case LOAD_METHOD:            opcode = LOAD_ATTR; index = index << 1 | 1; break;
    case LOAD_SUPER_ATTR:        index = index << 2 | 2; break;
    case LOAD_SUPER_METHOD:      opcode = LOAD_SUPER_ATTR; index = index << 2 | 3; break;
    case LOAD_ZERO_SUPER_ATTR:   opcode = LOAD_SUPER_ATTR; index <<= 2; break;
    case LOAD_ZERO_SUPER_METHOD: opcode = LOAD_SUPER_ATTR; index = index << 2 | 1; break;
    }
    return emit_arg(c, loc, opcode, index);
}

int emit_named(Compiler *c, Location loc, int opcode, PyObject *name)
{
    return emit_named_plain(c, loc, opcode, unit_mangle(c, name));
}

int emit_local(Compiler *c, Location loc, int opcode, PyObject *name)
{
    int index = namemap_number(c->arena, &c->u->meta.varnames, name);
    return index < 0 ? -1 : emit_arg(c, loc, opcode, index);
}

/* ---- names ------------------------------------------------------------------------------------------------------------ */

static int emit_cell(Compiler *c, Location loc, int opcode, PyObject *name, int meaning)
{
    int index = namemap_get(meaning == FREE_SCOPE ? &c->u->meta.freevars : &c->u->meta.cellvars, name, -1);
    if (index < 0) {
        PyErr_Format(PyExc_SystemError, "compiler: no cell for %R in %R", name, c->u->meta.name);
        return -1;
    }
    return emit_arg(c, loc, opcode, index);
}

static int emit_classdict(Compiler *c, Location loc)
{
    return emit_cell(c, loc, LOAD_DEREF, STR(__classdict__), scope_lookup(c->u->scope, STR(__classdict__)));
}

static int emit_cell_variable(Compiler *c, Location loc, PyObject *name, expr_context_ty ctx, int meaning)
{
    if (ctx != Load) return emit_cell(c, loc, ctx == Store ? STORE_DEREF : DELETE_DEREF, name, meaning);
    if (c->u->scope->type == ClassBlock && !c->u->inlined_comprehensions) {
        TRY(emit(c, loc, LOAD_LOCALS));                /* the class namespace comes first */
        return emit_cell(c, loc, LOAD_FROM_DICT_OR_DEREF, name, meaning);
    }
    if (c->u->scope->can_see_class_scope) {
        TRY(emit_classdict(c, loc));
        return emit_cell(c, loc, LOAD_FROM_DICT_OR_DEREF, name, meaning);
    }
    return emit_cell(c, loc, LOAD_DEREF, name, meaning);
}

static int emit_global(Compiler *c, Location loc, PyObject *name, expr_context_ty ctx, bool implicit)
{
    int opcode = ctx == Store ? STORE_GLOBAL : ctx == Del ? DELETE_GLOBAL : LOAD_GLOBAL;
    if (ctx == Load && implicit && c->u->scope->can_see_class_scope) {
        TRY(emit_classdict(c, loc));
        opcode = LOAD_FROM_DICT_OR_GLOBALS;
    }
    int index = namemap_number(c->arena, &c->u->meta.names, name);
    if (index < 0) return -1;
    return emit_arg(c, loc, opcode, opcode == LOAD_GLOBAL ? (Py_ssize_t)index << 1 : index);
}

int emit_variable(Compiler *c, Location loc, PyObject *name, expr_context_ty ctx)
{
    if (!name) return -1;
    TRY(refuse_debug(c, loc, name, ctx));
    if (!(name = unit_mangle(c, name))) return -1;
    Scope *scope = c->u->scope;
    bool function = scope_is_function_like(scope);
    int meaning = scope_lookup(scope, name);
    switch (meaning) {
    case FREE_SCOPE:
    case CELL_SCOPE:
        return emit_cell_variable(c, loc, name, ctx, meaning);
    case LOCAL_SCOPE:
        if (function || namemap_get(&c->u->meta.fasthidden, name, 0))
            return emit_local(c, loc, ctx == Load ? LOAD_FAST : ctx == Store ? STORE_FAST : DELETE_FAST, name);
        break;
    case GLOBAL_IMPLICIT:
        if (function) return emit_global(c, loc, name, ctx, true);
        break;
    case GLOBAL_EXPLICIT:
        return emit_global(c, loc, name, ctx, false);
    }
    if (ctx == Load && scope->type == ClassBlock && c->u->inlined_comprehensions) return emit_global(c, loc, name, ctx, false);
    return emit_named_plain(c, loc, ctx == Load ? LOAD_NAME : ctx == Store ? STORE_NAME : DELETE_NAME, name);
}

/* ---- suspension ------------------------------------------------------------------------------------------------------- */

/* SEND until the sub-iterator is done. The region around YIELD_VALUE is for close() and throw(): CLEANUP_THROW turns their
 * StopIteration into the result. */
int emit_yield_from(Compiler *c, Location loc, bool await)
{
    NEW_LABEL(c, send);
    NEW_LABEL(c, fail);
    NEW_LABEL(c, exit);
    place(c, send);
    TRY(emit_jump(c, loc, SEND, exit));
    TRY(emit_jump(c, loc, SETUP_FINALLY, fail));
    TRY(emit_arg(c, loc, YIELD_VALUE, 1));
    TRY(emit(c, NO_LOCATION, POP_BLOCK));
    TRY(emit_arg(c, loc, RESUME, await ? RESUME_AFTER_AWAIT : RESUME_AFTER_YIELD_FROM));
    TRY(emit_jump(c, loc, JUMP_NO_INTERRUPT, send));
    place(c, fail);
    TRY(emit(c, loc, CLEANUP_THROW));
    place(c, exit);
    return emit(c, loc, END_SEND);
}

int emit_await(Compiler *c, Location loc, int why)
{
    TRY(emit_arg(c, loc, GET_AWAITABLE, why));
    TRY(emit_const(c, loc, Py_None));
    return emit_yield_from(c, loc, true);
}

int emit_yield(Compiler *c, Location loc)
{
    if (c->u->scope->generator && c->u->scope->coroutine) TRY(emit_arg(c, loc, CALL_INTRINSIC_1, INTRINSIC_ASYNC_GEN_WRAP));
    TRY(emit_arg(c, loc, YIELD_VALUE, 0));
    return emit_arg(c, loc, RESUME, RESUME_AFTER_YIELD);
}

int wrap_stop_iteration(Compiler *c)
{
    NEW_LABEL(c, handler);
    TRY(instrs_insert(&c->u->instrs, 0, SETUP_CLEANUP, handler, NO_LOCATION));
    TRY(emit_const(c, NO_LOCATION, Py_None));
    TRY(emit(c, NO_LOCATION, RETURN_VALUE));
    place(c, handler);
    TRY(emit_arg(c, NO_LOCATION, CALL_INTRINSIC_1, INTRINSIC_STOPITERATION_ERROR));
    return emit_arg(c, NO_LOCATION, RERAISE, 1);
}

/* ---- units ------------------------------------------------------------------------------------------------------------ */

/* Names with one of two properties, sorted and numbered from `first`. */
static int collect_names(Compiler *c, const Scope *scope, int meaning, int flag, NameMap *to, int first)
{
    int count = 0;
    for (int i = 0; i < scope->symbols.count; i++) {
        int flags = scope->symbols.values[i];
        count += scope_of_flags(flags) == meaning || (flags & flag);
    }
    if (!count) return 0;
    PyObject **names = PyMem_New(PyObject *, (size_t)count);
    if (!names) {
        PyErr_NoMemory();
        return -1;
    }
    int n = 0, status = 0;
    for (int i = 0; i < scope->symbols.count; i++) {
        int flags = scope->symbols.values[i];
        if (scope_of_flags(flags) == meaning || (flags & flag)) names[n++] = scope->symbols.keys[i];
    }
    names_sort(names, n);
    for (int i = 0; status == 0 && i < n; i++) status = namemap_set(c->arena, to, names[i], first + i);
    PyMem_Free(names);
    return status;
}

static bool unit_hides_its_locals(const Unit *u)
{
    return u->kind == UNIT_FUNCTION || u->kind == UNIT_ASYNC_FUNCTION || u->kind == UNIT_LAMBDA;
}

/* `outer.<locals>.name`, BORROWED. */
static PyObject *unit_qualname(Compiler *c, Unit *u)
{
    Unit *parent = u->parent;
    if (!parent || !parent->parent) return u->meta.name;       /* directly in the module */
    if (parent->kind == UNIT_TYPE_PARAMS) {
        if (!parent->parent->parent) return u->meta.name;
        parent = parent->parent;
    }
    if (u->kind == UNIT_FUNCTION || u->kind == UNIT_ASYNC_FUNCTION || u->kind == UNIT_CLASS) {
        PyObject *mangled = mangle_name(c->arena, parent->private, u->meta.name);
        if (!mangled) return NULL;
        if (scope_lookup(parent->scope, mangled) == GLOBAL_EXPLICIT) return u->meta.name;
    }
    PyObject *qualname = PyUnicode_FromFormat(unit_hides_its_locals(parent) ? "%U.<locals>.%U" : "%U.%U", parent->meta.qualname,
                                              u->meta.name);
    return arena_own(c->arena, qualname) < 0 ? NULL : qualname;     /* interned with the code object, not before */
}

static int unit_set_variables(Compiler *c, Unit *u)
{
    Scope *scope = u->scope;
    CodeMeta *meta = &u->meta;
    for (int i = 0; i < scope->varnames_count; i++) TRY(namemap_number(c->arena, &meta->varnames, scope->varnames[i]));
    TRY(collect_names(c, scope, CELL_SCOPE, DEF_COMP_CELL, &meta->cellvars, 0));
    if (scope->needs_class_closure) TRY(namemap_set(c->arena, &meta->cellvars, STR(__class__), meta->cellvars.count));
    if (scope->needs_classdict) TRY(namemap_set(c->arena, &meta->cellvars, STR(__classdict__), meta->cellvars.count));
    return collect_names(c, scope, FREE_SCOPE, DEF_FREE_CLASS, &meta->freevars, meta->cellvars.count);
}

int unit_enter(Compiler *c, PyObject *name, UnitKind kind, const void *key, int first_line, PyObject *private)
{
    Scope *scope = symtable_lookup(&c->st, key);
    if (!scope || !name) return -1;
    Unit *u = PyMem_Calloc(1, sizeof *u);
    if (!u) {
        PyErr_NoMemory();
        return -1;
    }
    u->parent = c->u;
    u->scope = scope;
    u->kind = kind;
    u->private = private ? private : c->u ? c->u->private : NULL;
    u->meta.name = u->meta.qualname = name;
    u->meta.firstlineno = first_line;
    c->u = u;                                          /* from here on it is freed with the compiler */
    c->depth++;
    TRY(unit_set_variables(c, u));
    Location loc = { first_line, 0, first_line, 0 };
    if (kind == UNIT_MODULE) loc.lineno = 0;
    else if (!(u->meta.qualname = unit_qualname(c, u))) return -1;
    return emit_arg(c, loc, RESUME, RESUME_AT_FUNC_START);
}

void unit_exit(Compiler *c)
{
    Unit *u = c->u;
    c->u = u->parent;
    c->depth--;
    instrs_free(&u->instrs);
    Py_XDECREF(u->nested);
    PyMem_Free(u);
}

static int unit_code_flags(const Compiler *c)
{
    const Scope *scope = c->u->scope;
    int flags = c->flags & PyCF_MASK;
    if (scope_is_function_like(scope)) {
        flags |= CO_NEWLOCALS | CO_OPTIMIZED;
        if (scope->nested) flags |= CO_NESTED;
        if (scope->generator) flags |= scope->coroutine ? CO_ASYNC_GENERATOR : CO_GENERATOR;
        else if (scope->coroutine) flags |= CO_COROUTINE;
        if (scope->varargs) flags |= CO_VARARGS;
        if (scope->varkeywords) flags |= CO_VARKEYWORDS;
    }
    if (top_level_await(c) && scope->coroutine && !scope->generator) flags |= CO_COROUTINE;
    return flags;
}

static int keep_sequence(Unit *u)
{
    PyObject *sequence = seam_take_unit(u);
    if (!sequence) return -1;
    if (!u->parent->nested) u->parent->nested = PyList_New(0);
    int status = u->parent->nested ? PyList_Append(u->parent->nested, sequence) : -1;
    Py_DECREF(sequence);
    return status;
}

PyObject *unit_finish(Compiler *c, bool implicit_none)
{
    Unit *u = c->u;
    OutList out;
    int flags = unit_code_flags(c), stackdepth, nlocalsplus;
    PyObject *code = NULL;
    /* Even where nothing falls off the end: labels at the end need an instruction. */
    if (implicit_none && emit_const(c, NO_LOCATION, Py_None) < 0) return NULL;
    if (emit(c, NO_LOCATION, RETURN_VALUE) < 0) return NULL;
    if (flowgraph_optimize(&c->backend, &u->instrs, &u->meta, flags, u->scope->varnames_count, &stackdepth, &nlocalsplus, &out) == 0)
        code = assemble_code(&c->backend, &u->meta, &out, stackdepth, nlocalsplus, flags, c->filename);
    pool_reset(&c->backend.pool);
    if (code && c->keep_sequences && u->parent && keep_sequence(u) < 0) Py_CLEAR(code);
    if (code) unit_exit(c);
    return code;
}

/* ---- the whole ---------------------------------------------------------------------------------------------------------- */

static Location start_of_module(stmt_seq *body)
{
    return seq_len(body) ? LOC(seq_get(body, 0)) : (Location){ 1, 0, 1, 0 };
}

static int gen_module(Compiler *c, mod_ty tree)
{
    PyObject *name = compiler_intern(c, "<module>");
    TRY(unit_enter(c, name, UNIT_MODULE, tree, 1, NULL));
    switch (tree->kind) {
    case Module_kind:
        return gen_body(c, start_of_module(tree->v.Module.body), tree->v.Module.body);
    case Interactive_kind:
        c->interactive = true;
        if (c->u->scope->annotations_used)
            TRY(emit(c, start_of_module(NULL), SETUP_ANNOTATIONS));
        return gen_stmts(c, tree->v.Interactive.body);
    case Expression_kind:
        return gen_expr(c, tree->v.Expression.body);
    default:
        PyErr_Format(PyExc_SystemError, "module kind %d should not be possible", tree->kind);
        return -1;
    }
}

static int compiler_prepare(Compiler *c, mod_ty tree, PyCompilerFlags *flags)
{
    Location last;
    int features = 0;
    TRY(future_scan(tree, c->filename, &features, &last));
    c->flags = features | (flags ? flags->cf_flags : 0);
    if (flags) flags->cf_flags = c->flags;
    TRY(compile_fold(tree, c->filename, c->optimize, c->flags, c->arena));
    TRY(symtable_build(&c->st, tree, c->filename, c->flags, c->arena));
    c->last_future = last;
    return 0;
}

static void compiler_clear(Compiler *c)
{
    while (c->u) unit_exit(c);
    const_cache_free(&c->consts);
    pool_free(&c->backend.pool);
}

PyObject *compile_tree(mod_ty tree, PyObject *filename, PyCompilerFlags *flags, int optimize, Arena *arena)
{
    Compiler c = { .arena = arena, .filename = filename, .optimize = optimize < 0 ? compile_default_level() : optimize };
    c.backend = (Backend){ .arena = arena, .consts = &c.consts };
    PyObject *code = NULL;
    if (compiler_prepare(&c, tree, flags) == 0 && gen_module(&c, tree) == 0)
        code = unit_finish(&c, tree->kind != Expression_kind);
    compiler_clear(&c);
    return code;
}

PyObject *compile_to_sequence(mod_ty tree, PyObject *filename, PyCompilerFlags *flags, int optimize, Arena *arena)
{
    Compiler c = { .arena = arena, .filename = filename, .optimize = optimize < 0 ? compile_default_level() : optimize, .keep_sequences = true };
    c.backend = (Backend){ .arena = arena, .consts = &c.consts };
    PyObject *result = NULL;
    if (compiler_prepare(&c, tree, flags) == 0 && gen_module(&c, tree) == 0 &&
        (tree->kind == Expression_kind || emit_const(&c, NO_LOCATION, Py_None) == 0) && emit(&c, NO_LOCATION, RETURN_VALUE) == 0) {
        const CodeMeta *meta = &c.u->meta;
        result = Py_BuildValue("(N{sisisi})", seam_take_unit(c.u), "argcount", meta->argcount, "posonlyargcount",
                               meta->posonlyargcount, "kwonlyargcount", meta->kwonlyargcount);
    }
    compiler_clear(&c);
    return result;
}
