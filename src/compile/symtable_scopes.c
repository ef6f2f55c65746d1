/* Second step of the symbol tables: what each name in each block is. Blocks are worked through from the outside in to find
 * where names are bound, and from the inside out to collect free variables, cells and the symbols of inlined comprehensions.
 *
 * Where a name of an inner block is bound is found by walking outwards, block by block: a function-like block that binds it
 * decides, one that declares it global ends the search, classes are passed over (save for __class__ and __classdict__). */
#include "compile/compile_private.h"

#define TRY(call) do { if ((call) < 0) return -1; } while (0)

static int COLD error_at_directive(SymbolTable *st, Scope *scope, PyObject *name, const char *format)
{
    PyErr_Format(PyExc_SyntaxError, format, name);
    for (Directive *d = scope->directives; d; d = d->next) {
        if (d->name != name) continue;
        PyErr_RangedSyntaxLocationObject(st->filename, d->loc.lineno, d->loc.col_offset + 1, d->loc.end_lineno,
                                         d->loc.end_col_offset + 1);
        return -1;
    }
    PyErr_SetString(PyExc_RuntimeError, "BUG: internal directive bookkeeping broken");
    return -1;
}

typedef enum { NOT_BOUND, BOUND, BOUND_TYPE_PARAM } Binding;

/* Flags of a symbol that the block itself mentions; not of those that an inlined comprehension lent it. */
static int own_symbol(const Scope *scope, PyObject *name)
{
    int at = namemap_find(&scope->symbols, name);
    return at >= 0 && at < scope->own_count ? scope->symbols.values[at] : 0;
}

/* Is the name bound in a block around this one, as a block inside it sees it? */
static Binding binding_outside(const Scope *scope, PyObject *name)
{
    bool hidden_by_class = false;                      /* a class rebinds it, so it is no type parameter any more */
    for (const Scope *s = scope->parent; s; s = s->parent) {
        int flags;
        switch (s->type) {
        case ModuleBlock:
            return NOT_BOUND;
        case ClassBlock:
            if (name == STR(__class__) || name == STR(__classdict__)) return BOUND;
            flags = own_symbol(s, name);
            if ((flags & DEF_BOUND) && !(flags & (DEF_TYPE_PARAM | DEF_GLOBAL | DEF_NONLOCAL))) hidden_by_class = true;
            break;
        case AnnotationBlock:
            break;
        default:
            flags = own_symbol(s, name);
            if (flags & DEF_GLOBAL) return NOT_BOUND;
            if ((flags & DEF_BOUND) && !(flags & DEF_NONLOCAL))
                return (flags & DEF_TYPE_PARAM) && !hidden_by_class ? BOUND_TYPE_PARAM : BOUND;
        }
    }
    return NOT_BOUND;
}

/* class_scope: the class whose namespace this annotation-like scope can see, or NULL. Returns a scope, or -1. */
static int resolve_name(SymbolTable *st, Scope *scope, PyObject *name, int flags, const Scope *class_scope)
{
    if (flags & DEF_GLOBAL) {
        if (flags & DEF_NONLOCAL) return error_at_directive(st, scope, name, "name '%U' is nonlocal and global");
        return GLOBAL_EXPLICIT;
    }
    if (flags & DEF_NONLOCAL) {
        if (scope->type == ModuleBlock) return error_at_directive(st, scope, name, "nonlocal declaration not allowed at module level");
        switch (binding_outside(scope, name)) {
        case NOT_BOUND:
            return error_at_directive(st, scope, name, "no binding for nonlocal '%U' found");
        case BOUND_TYPE_PARAM:
            return error_at_directive(st, scope, name, "nonlocal binding not allowed for type parameter '%U'");
        case BOUND:
            return FREE_SCOPE;
        }
    }
    if (flags & DEF_BOUND) return LOCAL_SCOPE;
    if (class_scope) {                                 /* the class decides at run time, enclosing functions are not asked */
        int outer = scope_symbol(class_scope, name);
        if (outer & DEF_GLOBAL) return GLOBAL_EXPLICIT;
        if ((outer & DEF_BOUND) && !(outer & DEF_NONLOCAL)) return GLOBAL_IMPLICIT;
    }
    return binding_outside(scope, name) == NOT_BOUND ? GLOBAL_IMPLICIT : FREE_SCOPE;
}

static bool free_in_any_child(const Scope *scope, PyObject *name)
{
    for (int i = 0; i < scope->children_count; i++)
        if (scope_lookup(scope->children[i], name) == FREE_SCOPE) return true;
    return false;
}

/* The symbols of a comprehension become symbols of the block around it. comp_free: its free names, of which those that turn
 * out to be plain locals here are taken away. cells: gets what must be a cell only while the comprehension runs. */
static int inline_comprehension(SymbolTable *st, Scope *scope, Scope *comp, NameMap *scopes, NameMap *comp_free, NameMap *cells)
{
    bool remove_class = false;
    for (int i = 0; i < comp->symbols.count; i++) {
        PyObject *name = comp->symbols.keys[i];
        int flags = comp->symbols.values[i], meaning = scope_of_flags(flags), plain = flags & ((1 << SCOPE_OFFSET) - 1);
        if (flags & DEF_PARAM) continue;               /* .0 */
        if (meaning == CELL_SCOPE || (plain & DEF_COMP_CELL)) TRY(namemap_set(st->arena, cells, name, 1));
        if (meaning == FREE_SCOPE && scope->type == ClassBlock && name == STR(__class__)) {
            meaning = GLOBAL_IMPLICIT;                 /* the cell is for methods; the body itself does not see it */
            namemap_discard(comp_free, name);
            remove_class = true;
        }
        int at = namemap_find(&scope->symbols, name);
        if (at < 0) {
            TRY(namemap_set(st->arena, &scope->symbols, name, plain));
            TRY(namemap_set(st->arena, scopes, name, meaning));
        }
        else if ((scope->symbols.values[at] & DEF_BOUND) && scope->type != ClassBlock && !free_in_any_child(comp, name))
            namemap_discard(comp_free, name);
    }
    if (remove_class) namemap_discard(&comp->symbols, STR(__class__));
    return 0;
}

/* Comprehensions that were inlined hand their children over. */
static int splice_children(SymbolTable *st, Scope *scope)
{
    int total = 0;
    bool any = false;
    for (int i = 0; i < scope->children_count; i++) {
        any |= scope->children[i]->comp_inlined;
        total += scope->children[i]->comp_inlined ? scope->children[i]->children_count : 1;
    }
    if (!any) return 0;
    Scope **children = arena_alloc(st->arena, (size_t)(total ? total : 1) * sizeof *children);
    if (!children) return -1;
    int n = 0;
    for (int i = 0; i < scope->children_count; i++) {
        Scope *child = scope->children[i];
        if (!child->comp_inlined) children[n++] = child;
        else
            for (int j = 0; j < child->children_count; j++) children[n++] = child->children[j];
    }
    scope->children = children;
    scope->children_count = scope->children_capacity = n;
    return 0;
}

/* Writes the meanings into the symbols, and lets names that are free inside pass through this block. */
static int update_symbols(SymbolTable *st, Scope *scope, NameMap *scopes, NameMap *inner_free, NameMap *cells)
{
    bool class_like = scope->type == ClassBlock || scope->can_see_class_scope;
    for (int i = 0; i < scope->symbols.count; i++) {
        PyObject *name = scope->symbols.keys[i];
        if (cells->count && namemap_has(cells, name)) scope->symbols.values[i] |= DEF_COMP_CELL;
        scope->symbols.values[i] |= namemap_get(scopes, name, 0) << SCOPE_OFFSET;
    }
    for (int i = 0; i < inner_free->count; i++) {
        PyObject *name = inner_free->keys[i];
        int at = namemap_find(&scope->symbols, name);
        if (at >= 0) {
            if (class_like) scope->symbols.values[at] |= DEF_FREE_CLASS;
            continue;
        }
        if (scope->type == ModuleBlock || binding_outside(scope, name) != NOT_BOUND)
            TRY(namemap_set(st->arena, &scope->symbols, name, FREE_SCOPE << SCOPE_OFFSET));
    }
    return 0;
}

static int analyze_block(SymbolTable *st, Scope *scope, NameMap *free, const Scope *class_scope);

static int analyze_children(SymbolTable *st, Scope *scope, NameMap *scopes, NameMap *inner_free, NameMap *cells, const Scope *class_scope)
{
    for (int i = 0; i < scope->children_count; i++) {
        Scope *child = scope->children[i];
        NameMap child_free = {0};
        const Scope *seen = !child->can_see_class_scope ? NULL : scope->type == ClassBlock ? scope : class_scope;
        /* Annotation scopes inside classes evaluate lazily with the class's names: nothing is inlined there. */
        bool inlined = child->comprehension && !child->generator && !scope->can_see_class_scope;
        TRY(analyze_block(st, child, &child_free, seen));
        if (inlined) {
            TRY(inline_comprehension(st, scope, child, scopes, &child_free, cells));
            child->comp_inlined = true;
        }
        for (int k = 0; k < child_free.count; k++) TRY(namemap_set(st->arena, inner_free, child_free.keys[k], 1));
        if (child->has_free || child->child_free) scope->child_free = true;
    }
    return splice_children(st, scope);
}

/* free: gets the names that are free in this block or inside it. */
static int analyze_block_inner(SymbolTable *st, Scope *scope, NameMap *free, const Scope *class_scope)
{
    NameMap scopes = {0}, inner_free = {0}, cells = {0};
    scope->own_count = scope->symbols.count;
    for (int i = 0; i < scope->symbols.count; i++) {
        PyObject *name = scope->symbols.keys[i];
        int meaning = resolve_name(st, scope, name, scope->symbols.values[i], class_scope);
        if (meaning < 0) return -1;
        if (meaning == FREE_SCOPE) {
            scope->has_free = true;
            TRY(namemap_set(st->arena, free, name, 1));
        }
        TRY(namemap_set(st->arena, &scopes, name, meaning));
    }
    TRY(analyze_children(st, scope, &scopes, &inner_free, &cells, class_scope));
    if (scope_is_function_like(scope)) {
        for (int i = 0; i < scopes.count; i++) {
            if (scopes.values[i] != LOCAL_SCOPE) continue;
            if (!namemap_has(&inner_free, scopes.keys[i]) && !namemap_has(&cells, scopes.keys[i])) continue;
            scopes.values[i] = CELL_SCOPE;
            namemap_discard(&inner_free, scopes.keys[i]);
        }
    }
    else if (scope->type == ClassBlock) {
        if (namemap_discard(&inner_free, STR(__class__))) scope->needs_class_closure = true;
        if (namemap_discard(&inner_free, STR(__classdict__))) scope->needs_classdict = true;
    }
    TRY(update_symbols(st, scope, &scopes, &inner_free, &cells));
    for (int i = 0; i < inner_free.count; i++) TRY(namemap_set(st->arena, free, inner_free.keys[i], 1));
    return 0;
}

static int analyze_block(SymbolTable *st, Scope *scope, NameMap *free, const Scope *class_scope)
{
    if (Py_EnterRecursiveCall(" during compilation")) return -1;
    int status = analyze_block_inner(st, scope, free, class_scope);
    Py_LeaveRecursiveCall();
    return status;
}

int symtable_analyze(SymbolTable *st)
{
    NameMap free = {0};
    return analyze_block(st, st->top, &free, NULL);
}
