/* Statements, blocks and whole modules. */
#include "syntax/parser_private.h"

static stmt_ty made(Parser *p, stmt_ty s)
{
    if (UNLIKELY(!s)) p->failed = true;
    return s;
}
#define STMT(start, ...) made(p, NODE(stmt, start, __VA_ARGS__))

static stmt_seq *parse_else(Parser *p, bool *good);

/* [TYPE_COMMENT]: false on error. */
static bool optional_type_comment(Parser *p, PyObject **comment)
{
    *comment = NULL;
    if (LIKELY(at(p) != TYPE_COMMENT)) return true;
    *comment = parser_type_comment(p, &p->tokens[p->mark++]);
    return *comment != NULL;
}

/* ---- simple statements ---- */

static const uint8_t augmented_operators[256] = {
    [PLUSEQUAL] = Add, [MINEQUAL] = Sub, [STAREQUAL] = Mult, [ATEQUAL] = MatMult, [SLASHEQUAL] = Div, [PERCENTEQUAL] = Mod,
    [AMPEREQUAL] = BitAnd, [VBAREQUAL] = BitOr, [CIRCUMFLEXEQUAL] = BitXor, [LEFTSHIFTEQUAL] = LShift,
    [RIGHTSHIFTEQUAL] = RShift, [DOUBLESTAREQUAL] = Pow, [DOUBLESLASHEQUAL] = FloorDiv,
};

static bool is_single_target(expr_ty e)
{
    return e->kind == Name_kind || e->kind == Attribute_kind || e->kind == Subscript_kind;
}

/* The ':' of an annotated assignment comes next. */
static stmt_ty parse_annotated(Parser *p, int start, expr_ty target)
{
    bool simple = target->kind == Name_kind && p->tokens[start].type == NAME;
    if (!is_single_target(target) || !set_context(p, target, Store)) return NULL;
    p->mark++;
    expr_ty annotation = parse_expression(p), value = NULL;
    if (!annotation) return NULL;
    if (accept(p, EQUAL) && !(value = parse_yield_or_stars(p))) return NULL;
    if (!check_version(p, 6, simple ? "Variable annotation syntax is" : "Variable annotations syntax is")) return NULL;
    return STMT(start, AnnAssign, target, annotation, value, simple);
}

/* The first '=' of an assignment comes next. */
static stmt_ty parse_assignment(Parser *p, int start, expr_ty first)
{
    Py_ssize_t base = p->scratch_top;
    expr_ty value = first;
    while (accept(p, EQUAL)) {
        if (!set_context(p, value, Store) || !push(p, value)) return NULL;
        if (at(p) == KW_YIELD) {
            if (!(value = parse_yield_or_stars(p)) || at(p) == EQUAL) return NULL;
            break;
        }
        if (!(value = parse_star_expressions(p))) return NULL;
    }
    expr_seq *targets = TAKE(expr, base);
    PyObject *comment;
    if (p->failed || !optional_type_comment(p, &comment)) return NULL;
    return STMT(start, Assign, targets, value, comment);
}

static stmt_ty parse_expression_statement(Parser *p)
{
    int start = p->mark;
    expr_ty e = parse_yield_or_stars(p);
    if (!e) return NULL;
    int type = at(p);
    if (type == EQUAL) return e->kind == Yield_kind || e->kind == YieldFrom_kind ? NULL : parse_assignment(p, start, e);
    if (type == COLON) return parse_annotated(p, start, e);
    if (augmented_operators[type]) {
        if (!is_single_target(e) || !set_context(p, e, Store)) return NULL;
        p->mark++;
        if (type == ATEQUAL && !check_version(p, 5, "The '@' operator is")) return NULL;
        expr_ty value = parse_yield_or_stars(p);
        if (!value) return NULL;
        return STMT(start, AugAssign, e, augmented_operators[type], value);
    }
    return STMT(start, Expr, e);
}

static bool at_statement_end(Parser *p)
{
    return at(p) == NEWLINE || at(p) == SEMI;
}

static stmt_ty parse_return(Parser *p, int start)
{
    expr_ty value = NULL;
    if (!at_statement_end(p) && !(value = parse_star_expressions(p))) return NULL;
    return STMT(start, Return, value);
}

static stmt_ty parse_raise(Parser *p, int start)
{
    expr_ty error = NULL, cause = NULL;
    if (!at_statement_end(p)) {
        if (!(error = parse_expression(p))) return NULL;
        if (accept(p, KW_FROM) && !(cause = parse_expression(p))) return NULL;
    }
    return STMT(start, Raise, error, cause);
}

static identifier_seq *parse_name_list(Parser *p)
{
    Py_ssize_t base = p->scratch_top;
    do {
        if (at(p) != NAME) return NULL;
        PyObject *name = parser_name(p, &p->tokens[p->mark++]);
        if (!name || !push(p, name)) return NULL;
    } while (accept(p, COMMA));
    return (identifier_seq *)seq_take(p, base);
}

static stmt_ty parse_del(Parser *p, int start)
{
    Py_ssize_t base = p->scratch_top;
    do {
        expr_ty e = parse_primary(p);
        if (!e || !set_context(p, e, Del) || !push(p, e)) return NULL;
    } while (accept(p, COMMA) && !at_statement_end(p));
    if (!at_statement_end(p)) return NULL;
    expr_seq *targets = TAKE(expr, base);
    return p->failed ? NULL : STMT(start, Delete, targets);
}

static stmt_ty parse_assert(Parser *p, int start)
{
    expr_ty test = parse_expression(p), message = NULL;
    if (!test || (accept(p, COMMA) && !(message = parse_expression(p)))) return NULL;
    return STMT(start, Assert, test, message);
}

/* ---- imports ---- */

/* The parts from first on, joined; blanks may stand between them. */
static PyObject *join_dotted_name(Parser *p, int first)
{
    PyObject *parts = PyList_New(0), *dot = parts ? PyUnicode_FromString(".") : NULL, *whole = NULL;
    for (int i = first; dot && i < p->mark; i += 2) {
        PyObject *part = parser_name(p, &p->tokens[i]);
        if (!part || PyList_Append(parts, part) < 0) Py_CLEAR(dot);
    }
    if (dot) whole = PyUnicode_Join(dot, parts);
    Py_XDECREF(parts);
    Py_XDECREF(dot);
    return whole;
}

/* NAME ('.' NAME)* as one interned name. */
static PyObject *parse_dotted_name(Parser *p)
{
    if (at(p) != NAME) return NULL;
    int first = p->mark;
    PyObject *name = parser_name(p, &p->tokens[p->mark++]);
    if (!name || LIKELY(at(p) != DOT)) return name;
    while (accept(p, DOT)) {
        if (at(p) != NAME) return NULL;
        p->mark++;
    }
    const char *start = p->tok.text + p->tokens[first].start, *end = p->tok.text + p->tokens[p->mark - 1].end, *s = start;
    while (s < end && (Py_ISALNUM((uint8_t)*s) || *s == '_' || *s == '.')) s++;
    PyObject *whole = s == end ? PyUnicode_FromStringAndSize(start, end - start) : join_dotted_name(p, first);
    if (whole) PyUnicode_InternInPlace(&whole);
    return parser_own(p, whole);
}

static bool push_alias(Parser *p, int start, PyObject *name, PyObject *asname)
{
    alias_ty alias = arena_alloc(p->arena, sizeof *alias);
    if (!alias) {
        p->failed = true;
        return false;
    }
    Span span = span_from(p, start);
    *alias = (struct alias){ .lineno = span.lineno, .col_offset = span.col_offset, .end_lineno = span.end_lineno,
                             .end_col_offset = span.end_col_offset, .name = name, .asname = asname };
    return push(p, alias);
}

static bool parse_alias(Parser *p, bool dotted)
{
    int start = p->mark;
    PyObject *name, *asname = NULL;
    if (at(p) != NAME) return false;
    name = dotted ? parse_dotted_name(p) : parser_name(p, &p->tokens[p->mark++]);
    if (!name) return false;
    if (accept(p, KW_AS) && (at(p) != NAME || !(asname = parser_name(p, &p->tokens[p->mark++])))) return false;
    return push_alias(p, start, name, asname);
}

static stmt_ty parse_import(Parser *p, int start)
{
    Py_ssize_t base = p->scratch_top;
    do if (!parse_alias(p, true)) return NULL; while (accept(p, COMMA));
    alias_seq *names = TAKE(alias, base);
    return p->failed ? NULL : STMT(start, Import, names);
}

/* `from __future__ import barry_as_FLUFL` changes the tokens that follow. */
static void note_future(Parser *p, PyObject *module, alias_seq *names)
{
    if (!module || !PyUnicode_EqualToUTF8(module, "__future__")) return;
    for (Py_ssize_t i = 0; i < seq_len(names); i++)
        if (PyUnicode_EqualToUTF8(names->items[i]->name, "barry_as_FLUFL")) p->barry_as_bdfl = true;
}

static stmt_ty parse_from(Parser *p, int start)
{
    int level = 0;
    PyObject *module = NULL;
    for (int type = at(p); type == DOT || type == ELLIPSIS; type = at(p)) {
        level += type == DOT ? 1 : 3;
        p->mark++;
    }
    if ((at(p) != KW_IMPORT || !level) && !(module = parse_dotted_name(p))) return NULL;
    if (!accept(p, KW_IMPORT)) return NULL;
    Py_ssize_t base = p->scratch_top;
    if (at(p) == STAR) {
        int star = p->mark++;
        PyObject *name = parser_intern(p, "*", 1);
        if (!name || !push_alias(p, star, name, NULL)) return NULL;
    }
    else if (accept(p, LPAR)) {
        do if (!parse_alias(p, false)) return NULL; while (accept(p, COMMA) && at(p) != RPAR);
        if (!accept(p, RPAR)) return NULL;
    }
    else do if (!parse_alias(p, false)) return NULL; while (accept(p, COMMA));
    alias_seq *names = TAKE(alias, base);
    if (p->failed) return NULL;
    if (!level) note_future(p, module, names);
    return STMT(start, ImportFrom, module, names, level);
}

/* ---- type parameters ---- */

static type_param_ty parse_type_param(Parser *p)
{
    int start = p->mark;
    int star = at(p) == STAR || at(p) == DOUBLESTAR ? at(p) : 0;
    if (star) p->mark++;
    if (at(p) != NAME) return NULL;
    PyObject *name = parser_name(p, &p->tokens[p->mark++]);
    expr_ty bound = NULL, value = NULL;
    if (!name || (!star && accept(p, COLON) && !(bound = parse_expression(p)))) return NULL;
    if (accept(p, EQUAL)) {
        if (!(value = star == STAR ? parse_star_expression(p) : parse_expression(p))) return NULL;
        if (!check_version(p, 13, "Type parameter defaults are")) return NULL;
    }
    type_param_ty t = star == STAR ? NODE(type_param, start, TypeVarTuple, name, value)
                    : star ? NODE(type_param, start, ParamSpec, name, value)
                    : NODE(type_param, start, TypeVar, name, bound, value);
    if (!t) p->failed = true;
    return t;
}

/* ['[' ... ']'] */
static bool parse_type_params(Parser *p, type_param_seq **params)
{
    *params = NULL;
    if (LIKELY(!accept(p, LSQB))) return true;
    Py_ssize_t base = p->scratch_top;
    do {
        type_param_ty t = parse_type_param(p);
        if (!t || !push(p, t)) return false;
    } while (accept(p, COMMA) && at(p) != RSQB);
    if (!accept(p, RSQB)) return false;
    if (!check_version(p, 12, "Type parameter lists are")) return false;
    *params = TAKE(type_param, base);
    return !p->failed;
}

static stmt_ty parse_type_alias(Parser *p)
{
    int start = p->mark++, name_mark = p->mark;
    PyObject *id = parser_name(p, &p->tokens[p->mark++]);
    expr_ty name = id ? NODE(expr, name_mark, Name, id, Store) : NULL, value;
    type_param_seq *params;
    if (!name || !parse_type_params(p, &params) || !accept(p, EQUAL) || !(value = parse_expression(p))) return NULL;
    if (!check_version(p, 12, "Type statement is")) return NULL;
    return STMT(start, TypeAlias, name, params, value);
}

static stmt_ty parse_simple(Parser *p)
{
    int start = p->mark;
    switch (at(p)) {
    case KW_RETURN: p->mark++; return parse_return(p, start);
    case KW_IMPORT: p->mark++; return parse_import(p, start);
    case KW_FROM: p->mark++; return parse_from(p, start);
    case KW_RAISE: p->mark++; return parse_raise(p, start);
    case KW_PASS: p->mark++; return STMT(start, Pass);
    case KW_BREAK: p->mark++; return STMT(start, Break);
    case KW_CONTINUE: p->mark++; return STMT(start, Continue);
    case KW_DEL: p->mark++; return parse_del(p, start);
    case KW_ASSERT: p->mark++; return parse_assert(p, start);
    case KW_GLOBAL: case KW_NONLOCAL: {
        bool global = at(p) == KW_GLOBAL;
        p->mark++;
        identifier_seq *names = parse_name_list(p);
        if (!names) return NULL;
        return global ? STMT(start, Global, names) : STMT(start, Nonlocal, names);
    }
    case NAME:
        if (p->tokens[start].soft == SOFT_TYPE && peek(p, 1) == NAME) return parse_type_alias(p);
        return parse_expression_statement(p);
    default: return parse_expression_statement(p);
    }
}

/* Statements of one line, with its NEWLINE; pushed. */
static bool parse_simple_statements(Parser *p)
{
    do {
        stmt_ty s = parse_simple(p);
        if (!s || !push(p, s)) return false;
    } while (accept(p, SEMI) && at(p) != NEWLINE);
    return accept(p, NEWLINE);
}

/* ---- compound statements ---- */

stmt_seq *parse_block(Parser *p)
{
    Py_ssize_t base = p->scratch_top;
    if (!enter(p, 5)) return NULL;
    stmt_seq *body = NULL;
    if (accept(p, NEWLINE)) {
        if (accept(p, INDENT)) {
            body = parse_statements(p, DEDENT);
            if (body && !accept(p, DEDENT)) body = NULL;
        }
    }
    else if (parse_simple_statements(p)) body = TAKE(stmt, base);
    leave(p, 5);
    return body;
}

static stmt_seq *parse_colon_block(Parser *p)
{
    return accept(p, COLON) ? parse_block(p) : NULL;
}

static stmt_ty parse_if(Parser *p)
{
    int start = p->mark++;
    expr_ty test = parse_named(p);
    stmt_seq *body = test ? parse_colon_block(p) : NULL, *orelse = NULL;
    bool good = true;
    if (!body) return NULL;
    if (at(p) == KW_ELIF) {
        if (!enter(p, 1)) return NULL;
        stmt_ty nested = parse_if(p);
        leave(p, 1);
        if (!nested || !(orelse = ONE_OF(stmt, nested))) return NULL;
    }
    else orelse = parse_else(p, &good);
    return good ? STMT(start, If, test, body, orelse) : NULL;
}

static stmt_seq *parse_else(Parser *p, bool *good)
{
    if (at(p) != KW_ELSE) return NULL;
    p->mark++;
    stmt_seq *body = parse_colon_block(p);
    if (!body) *good = false;
    return body;
}

static stmt_ty parse_while(Parser *p)
{
    int start = p->mark++;
    expr_ty test = parse_named(p);
    stmt_seq *body = test ? parse_colon_block(p) : NULL;
    bool good = body != NULL;
    stmt_seq *orelse = good ? parse_else(p, &good) : NULL;
    return good ? STMT(start, While, test, body, orelse) : NULL;
}

static stmt_ty parse_for(Parser *p, int start, bool is_async)
{
    p->mark++;
    PyObject *comment = NULL;
    expr_ty target = parse_targets(p);
    if (!target || !accept(p, KW_IN)) return NULL;
    expr_ty iter = parse_star_expressions(p);
    if (!iter || !accept(p, COLON) || !optional_type_comment(p, &comment)) return NULL;
    stmt_seq *body = parse_block(p);
    bool good = body != NULL;
    stmt_seq *orelse = good ? parse_else(p, &good) : NULL;
    if (!good || (is_async && !check_version(p, 5, "Async for loops are"))) return NULL;
    return is_async ? STMT(start, AsyncFor, target, iter, body, orelse, comment)
                    : STMT(start, For, target, iter, body, orelse, comment);
}

static bool push_with_item(Parser *p)
{
    withitem_ty item = arena_alloc(p->arena, sizeof *item);
    if (!item) {
        p->failed = true;
        return false;
    }
    if (!(item->context_expr = parse_expression(p))) return false;
    if (accept(p, KW_AS)) {
        if (!(item->optional_vars = parse_target(p))) return false;
        if (at(p) != COMMA && at(p) != RPAR && at(p) != COLON) return false;
    }
    return push(p, item);
}

/* '(' items [','] ')' ':' -- or not: then the bracket belongs to an expression. */
static bool parse_bracketed_items(Parser *p)
{
    p->mark++;
    do if (!push_with_item(p)) return false; while (accept(p, COMMA) && at(p) != RPAR);
    return accept(p, RPAR) && accept(p, COLON);
}

static stmt_ty parse_with(Parser *p, int start, bool is_async)
{
    p->mark++;
    PyObject *comment = NULL;
    Py_ssize_t base = p->scratch_top;
    bool bracketed = false;
    if (at(p) == LPAR) {
        Rewind here = rewind_point(p);
        bracketed = parse_bracketed_items(p);
        if (!bracketed) {
            if (p->failed) return NULL;
            rewind_to(p, here);
        }
    }
    if (!bracketed) {
        do if (!push_with_item(p)) return NULL; while (accept(p, COMMA));
        if (!accept(p, COLON)) return NULL;
    }
    withitem_seq *items = TAKE(withitem, base);
    if (!(is_async && bracketed) && !optional_type_comment(p, &comment)) return NULL;
    stmt_seq *body = p->failed ? NULL : parse_block(p);
    if (!body || (is_async && !check_version(p, 5, "Async with statements are"))) return NULL;
    return is_async ? STMT(start, AsyncWith, items, body, comment) : STMT(start, With, items, body, comment);
}

static excepthandler_ty parse_handler(Parser *p, bool *star)
{
    int start = p->mark++;
    expr_ty type = NULL;
    PyObject *name = NULL;
    *star = accept(p, STAR);
    if (*star || at(p) != COLON) {
        if (!(type = parse_expression(p))) return NULL;
        if (accept(p, KW_AS) && (at(p) != NAME || !(name = parser_name(p, &p->tokens[p->mark++])))) return NULL;
    }
    stmt_seq *body = parse_colon_block(p);
    if (!body) return NULL;
    excepthandler_ty handler = NODE(excepthandler, start, ExceptHandler, type, name, body);
    if (!handler) p->failed = true;
    return handler;
}

static stmt_ty parse_try(Parser *p)
{
    int start = p->mark++;
    stmt_seq *body = parse_colon_block(p), *orelse = NULL, *final = NULL;
    bool good = body != NULL, star = false;
    if (!good) return NULL;
    Py_ssize_t base = p->scratch_top;
    while (at(p) == KW_EXCEPT) {
        if (p->scratch_top != base && (peek(p, 1) == STAR) != star) return NULL;
        excepthandler_ty handler = parse_handler(p, &star);
        if (!handler || !push(p, handler)) return NULL;
    }
    excepthandler_seq *handlers = TAKE(excepthandler, base);
    if (p->failed) return NULL;
    if (handlers) orelse = parse_else(p, &good);
    if (!good) return NULL;
    if (accept(p, KW_FINALLY)) {
        if (!(final = parse_colon_block(p))) return NULL;
    }
    else if (!handlers) return NULL;
    if (star && !check_version(p, 11, "Exception groups are")) return NULL;
    return star ? STMT(start, TryStar, body, handlers, orelse, final) : STMT(start, Try, body, handlers, orelse, final);
}

static stmt_ty parse_class(Parser *p, expr_seq *decorators)
{
    int start = p->mark++;
    if (at(p) != NAME) return NULL;
    PyObject *name = parser_name(p, &p->tokens[p->mark++]);
    type_param_seq *params;
    expr_seq *bases = NULL;
    keyword_seq *keywords = NULL;
    if (!name || !parse_type_params(p, &params)) return NULL;
    int outer = p->level;
    if (accept(p, LPAR) && (!parse_arguments(p, &bases, &keywords) || !accept(p, RPAR))) return NULL;
    p->level = outer;
    stmt_seq *body = parse_colon_block(p);
    return body ? STMT(start, ClassDef, name, bases, keywords, body, decorators, params) : NULL;
}

/* func_type_comment: on the same line, or alone on the next one before the block. */
static bool function_type_comment(Parser *p, PyObject **comment)
{
    *comment = NULL;
    if (at(p) == NEWLINE && peek(p, 1) == TYPE_COMMENT && peek(p, 2) == NEWLINE && peek(p, 3) == INDENT) p->mark++;
    return optional_type_comment(p, comment);
}

static stmt_ty parse_function(Parser *p, expr_seq *decorators, int start, bool is_async)
{
    p->mark++;
    if (at(p) != NAME) return NULL;
    PyObject *name = parser_name(p, &p->tokens[p->mark++]), *comment = NULL;
    type_param_seq *params;
    expr_ty returns = NULL;
    arguments_ty args;
    if (!name || !parse_type_params(p, &params) || !accept(p, LPAR) || !(args = parse_parameters(p, false))) return NULL;
    p->mark++;
    if (accept(p, RARROW) && !(returns = parse_expression(p))) return NULL;
    if (!accept(p, COLON) || (p->tok.type_comments && !function_type_comment(p, &comment))) return NULL;
    stmt_seq *body = parse_block(p);
    if (!body || (is_async && !check_version(p, 5, "Async functions are"))) return NULL;
    return is_async ? STMT(start, AsyncFunctionDef, name, args, body, decorators, returns, comment, params)
                    : STMT(start, FunctionDef, name, args, body, decorators, returns, comment, params);
}

static stmt_ty parse_async(Parser *p, expr_seq *decorators)
{
    int start = p->mark++;
    switch (at(p)) {
    case KW_DEF: return parse_function(p, decorators, start, true);
    case KW_FOR: return decorators ? NULL : parse_for(p, start, true);
    case KW_WITH: return decorators ? NULL : parse_with(p, start, true);
    default: return NULL;
    }
}

static stmt_ty parse_decorated(Parser *p)
{
    Py_ssize_t base = p->scratch_top;
    while (accept(p, AT)) {
        expr_ty e = parse_named(p);
        if (!e || !push(p, e) || !accept(p, NEWLINE)) return NULL;
    }
    expr_seq *decorators = TAKE(expr, base);
    if (p->failed) return NULL;
    switch (at(p)) {
    case KW_DEF: return parse_function(p, decorators, p->mark, false);
    case KW_CLASS: return parse_class(p, decorators);
    case KW_ASYNC: return parse_async(p, decorators);
    default: return NULL;
    }
}

/* A compound statement if one begins here (*is_compound). */
static stmt_ty parse_compound(Parser *p, bool *is_compound)
{
    *is_compound = true;
    switch (at(p)) {
    case KW_IF: return parse_if(p);
    case KW_DEF: return parse_function(p, NULL, p->mark, false);
    case KW_CLASS: return parse_class(p, NULL);
    case KW_FOR: return parse_for(p, p->mark, false);
    case KW_WITH: return parse_with(p, p->mark, false);
    case KW_TRY: return parse_try(p);
    case KW_WHILE: return parse_while(p);
    case KW_ASYNC: return parse_async(p, NULL);
    case AT: return parse_decorated(p);
    case NAME:
        if (p->tokens[p->mark].soft == SOFT_MATCH) return parse_match(p, is_compound);
        FALLTHROUGH;
    default:
        *is_compound = false;
        return NULL;
    }
}

/* Statements up to, not over, a token of type `until`. NULL when there is none. */
stmt_seq *parse_statements(Parser *p, int until)
{
    Py_ssize_t base = p->scratch_top;
    bool top = until == ENDMARKER, compound;
    while (at(p) != until) {
        if (top) p->statement_mark = p->mark;
        stmt_ty s = parse_compound(p, &compound);
        if (compound) {
            if (!s || !push(p, s)) return NULL;
        }
        else if (!parse_simple_statements(p)) return NULL;
    }
    return TAKE(stmt, base);
}

/* ---- modules ---- */

static mod_ty parse_file(Parser *p)
{
    bool empty = at(p) == ENDMARKER;
    stmt_seq *body = empty ? NULL : parse_statements(p, ENDMARKER);
    if (p->failed || (!body && !empty)) return NULL;
    type_ignore_seq *ignores = NULL;
    if (p->type_ignores_count) {
        if (!(ignores = SEQ_NEW(type_ignore, p->arena, p->type_ignores_count))) goto no_memory;
        Py_ssize_t i = 0;
        for (TypeIgnoreList *note = p->type_ignores; note; note = note->next) {
            type_ignore_ty t = arena_alloc(p->arena, sizeof *t);
            if (!t) goto no_memory;
            t->kind = TypeIgnore_kind;
            t->v.TypeIgnore.lineno = note->lineno;
            t->v.TypeIgnore.tag = note->tag;
            ignores->items[i++] = t;
        }
    }
    mod_ty m = arena_alloc(p->arena, sizeof *m);
    if (!m) goto no_memory;
    m->kind = Module_kind;
    m->v.Module.body = body;
    m->v.Module.type_ignores = ignores;
    return m;
no_memory:
    p->failed = true;
    return NULL;
}

static mod_ty parse_single(Parser *p)
{
    Py_ssize_t base = p->scratch_top;
    bool compound;
    stmt_ty s;
    switch (at(p)) {
    case ENDMARKER:
        p->error_was_eof = true;
        return NULL;
    case NEWLINE: {
        int start = p->mark++;
        s = made(p, NODE_NEW(stmt, p->arena, span_of_token(&p->tokens[start]), Pass));
        if (!s || !push(p, s)) return NULL;
        break;
    }
    default:
        s = parse_compound(p, &compound);
        if (compound) {
            if (!s || !push(p, s) || !accept(p, NEWLINE)) return NULL;
        }
        else if (!parse_simple_statements(p)) return NULL;
    }
    mod_ty m = arena_alloc(p->arena, sizeof *m);
    if (!m) {
        p->failed = true;
        return NULL;
    }
    m->kind = Interactive_kind;
    m->v.Interactive.body = TAKE(stmt, base);
    return p->failed ? NULL : m;
}

static bool accept_end(Parser *p)
{
    while (accept(p, NEWLINE)) {}
    return accept(p, ENDMARKER);
}

static mod_ty parse_eval(Parser *p)
{
    expr_ty e = parse_expressions(p);
    if (!e || !accept_end(p)) return NULL;
    mod_ty m = arena_alloc(p->arena, sizeof *m);
    if (!m) {
        p->failed = true;
        return NULL;
    }
    m->kind = Expression_kind;
    m->v.Expression.body = e;
    return m;
}

/* '(' types ')' '->' type: stars before a type are allowed and mean nothing. */
static mod_ty parse_func_type(Parser *p)
{
    Py_ssize_t base = p->scratch_top;
    if (!accept(p, LPAR)) return NULL;
    int stage = 0;
    while (at(p) != RPAR) {
        if (at(p) == STAR && stage < 1) p->mark++, stage = 1;
        else if (at(p) == DOUBLESTAR && stage < 2) p->mark++, stage = 2;
        else if (stage) return NULL;
        expr_ty e = parse_expression(p);
        if (!e || !push(p, e)) return NULL;
        if (!accept(p, COMMA)) break;
        if (at(p) == RPAR) return NULL;
    }
    if (!accept(p, RPAR) || !accept(p, RARROW)) return NULL;
    expr_seq *types = TAKE(expr, base);
    expr_ty returns = p->failed ? NULL : parse_expression(p);
    if (!returns || !accept_end(p)) return NULL;
    mod_ty m = arena_alloc(p->arena, sizeof *m);
    if (!m) {
        p->failed = true;
        return NULL;
    }
    m->kind = FunctionType_kind;
    m->v.FunctionType.argtypes = types;
    m->v.FunctionType.returns = returns;
    return m;
}

mod_ty parse_module(Parser *p)
{
    switch (p->start) {
    case Py_file_input: return parse_file(p);
    case Py_single_input: return parse_single(p);
    case Py_eval_input: return parse_eval(p);
    case Py_func_type_input: return parse_func_type(p);
    }
    PyErr_SetString(PyExc_SystemError, "unknown start symbol");
    p->failed = true;
    return NULL;
}
