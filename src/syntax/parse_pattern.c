/* match statements and their patterns. `match` and `case` are names elsewhere, so the statement is tried first. */
#include "syntax/parser_private.h"

static pattern_ty made(Parser *p, pattern_ty pattern)
{
    if (UNLIKELY(!pattern)) p->failed = true;
    return pattern;
}
#define PATTERN(start, ...) made(p, NODE(pattern, start, __VA_ARGS__))

static expr_ty made_expr(Parser *p, expr_ty e)
{
    if (UNLIKELY(!e)) p->failed = true;
    return e;
}
#define EXPR(start, ...) made_expr(p, NODE(expr, start, __VA_ARGS__))

static pattern_ty parse_pattern(Parser *p);

/* ---- literals ---- */

static expr_ty pattern_number(Parser *p)
{
    int start = p->mark;
    if (at(p) != NUMBER) return NULL;
    PyObject *value = literal_number(p, &p->tokens[start]);
    if (!value) return NULL;
    p->mark++;
    return EXPR(start, Constant, value, NULL);
}

/* ['-'] NUMBER [('+' | '-') NUMBER], where the two-part form is real and imaginary. */
static expr_ty pattern_complex(Parser *p)
{
    int start = p->mark;
    bool negative = accept(p, MINUS);
    expr_ty real = pattern_number(p);
    if (!real) return NULL;
    bool is_complex = PyComplex_CheckExact(real->v.Constant.value);
    if (negative && !(real = EXPR(start, UnaryOp, USub, real))) return NULL;
    if (at(p) != PLUS && at(p) != MINUS) return real;
    operator_ty op = at(p) == PLUS ? Add : Sub;
    p->mark++;
    if (is_complex) {
        parser_raise_at(p, PyExc_SyntaxError, SPAN_OF(negative ? real->v.UnaryOp.operand : real),
                        "real number required in complex literal");
        return NULL;
    }
    expr_ty imaginary = pattern_number(p);
    if (!imaginary) return NULL;
    if (!PyComplex_CheckExact(imaginary->v.Constant.value)) {
        parser_raise_at(p, PyExc_SyntaxError, SPAN_OF(imaginary), "imaginary number required in complex literal");
        return NULL;
    }
    return EXPR(start, BinOp, real, op, imaginary);
}

static bool at_literal(Parser *p)
{
    int type = at(p);
    return type == NUMBER || type == MINUS || type == STRING || type == FSTRING_START;
}

static expr_ty pattern_literal(Parser *p)
{
    return at(p) == STRING || at(p) == FSTRING_START ? parse_strings(p) : pattern_complex(p);
}

static PyObject *singleton(int type)
{
    return type == KW_NONE ? Py_None : type == KW_TRUE ? Py_True : type == KW_FALSE ? Py_False : NULL;
}

/* ---- names ---- */

/* NAME ('.' NAME)* */
static expr_ty name_or_attribute(Parser *p)
{
    int start = p->mark;
    PyObject *name = parser_name(p, &p->tokens[p->mark++]);
    expr_ty e = name ? EXPR(start, Name, name, Load) : NULL;
    while (e && accept(p, DOT)) {
        if (at(p) != NAME || !(name = parser_name(p, &p->tokens[p->mark++]))) return NULL;
        e = EXPR(start, Attribute, e, name, Load);
    }
    return e;
}

/* A name to bind, not `_`; *name is NULL for `_`. */
static bool capture_name(Parser *p, PyObject **name, bool wildcard_allowed)
{
    *name = NULL;
    if (at(p) != NAME) return false;
    if (p->tokens[p->mark].soft == SOFT_UNDERSCORE) {
        if (!wildcard_allowed) return false;
        p->mark++;
        return true;
    }
    *name = parser_name(p, &p->tokens[p->mark++]);
    int type = at(p);
    return *name && type != DOT && type != LPAR && type != EQUAL;
}

/* ---- compound patterns ---- */

static pattern_ty parse_maybe_star(Parser *p)
{
    int start = p->mark;
    PyObject *name;
    if (!accept(p, STAR)) return parse_pattern(p);
    return capture_name(p, &name, true) ? PATTERN(start, MatchStar, name) : NULL;
}

/* Patterns up to, not over, `close`; pushed. */
static bool parse_pattern_list(Parser *p, int close)
{
    while (at(p) != close) {
        pattern_ty pattern = parse_maybe_star(p);
        if (!pattern || !push(p, pattern)) return false;
        if (!accept(p, COMMA)) break;
    }
    return at(p) == close;
}

static pattern_ty parse_bracket(Parser *p, int close)
{
    int start = p->mark++;
    Py_ssize_t base = p->scratch_top;
    if (close == RPAR && at(p) != RPAR) {                  /* a group, unless there is a comma */
        pattern_ty first = parse_maybe_star(p);
        if (!first) return NULL;
        if (at(p) == RPAR) {
            if (first->kind == MatchStar_kind) return NULL;
            p->mark++;
            return first;
        }
        if (!push(p, first) || !accept(p, COMMA)) return NULL;
    }
    if (!parse_pattern_list(p, close)) return NULL;
    p->mark++;
    pattern_seq *patterns = TAKE(pattern, base);
    return p->failed ? NULL : PATTERN(start, MatchSequence, patterns);
}

static pattern_ty parse_mapping(Parser *p)
{
    int start = p->mark++;
    Py_ssize_t base = p->scratch_top;
    PyObject *rest = NULL;
    while (at(p) != RBRACE) {
        if (accept(p, DOUBLESTAR)) {
            if (!capture_name(p, &rest, false)) return NULL;
            accept(p, COMMA);
            break;
        }
        int key_start = p->mark;
        expr_ty key;
        if (at(p) == NAME) {
            key = name_or_attribute(p);
            if (key && key->kind != Attribute_kind) return NULL;
        }
        else if (at_literal(p)) key = pattern_literal(p);
        else {
            PyObject *value = singleton(at(p));
            if (!value) return NULL;
            p->mark++;
            key = EXPR(key_start, Constant, value, NULL);
        }
        if (!key || !accept(p, COLON)) return NULL;
        pattern_ty pattern = parse_pattern(p);
        if (!pattern || !push(p, key) || !push(p, pattern)) return NULL;
        if (!accept(p, COMMA)) break;
    }
    if (!accept(p, RBRACE)) return NULL;
    Py_ssize_t n = (p->scratch_top - base) / 2;
    expr_seq *keys = n ? SEQ_NEW(expr, p->arena, n) : NULL;
    pattern_seq *patterns = n ? SEQ_NEW(pattern, p->arena, n) : NULL;
    if (n && (!keys || !patterns)) return made(p, NULL);
    for (Py_ssize_t i = 0; i < n; i++) {
        keys->items[i] = p->scratch[base + 2 * i];
        patterns->items[i] = p->scratch[base + 2 * i + 1];
    }
    p->scratch_top = base;
    return PATTERN(start, MatchMapping, keys, patterns, rest);
}

/* '(' after a class name. */
static pattern_ty parse_class_pattern(Parser *p, int start, expr_ty cls)
{
    p->mark++;
    Py_ssize_t base = p->scratch_top;
    bool more = true;                                      /* at the beginning, or behind a comma */
    while (more && at(p) != RPAR && !(at(p) == NAME && peek(p, 1) == EQUAL)) {
        pattern_ty pattern = parse_pattern(p);
        if (!pattern || !push(p, pattern)) return NULL;
        more = accept(p, COMMA);
    }
    pattern_seq *patterns = TAKE(pattern, base), *values = NULL;
    identifier_seq *names = NULL;
    while (more && at(p) == NAME && peek(p, 1) == EQUAL) {
        PyObject *name = parser_name(p, &p->tokens[p->mark]);
        p->mark += 2;
        pattern_ty pattern = name ? parse_pattern(p) : NULL;
        if (!pattern || !push(p, name) || !push(p, pattern)) return NULL;
        more = accept(p, COMMA);
    }
    Py_ssize_t n = (p->scratch_top - base) / 2;
    if (n) {
        names = SEQ_NEW(identifier, p->arena, n);
        values = SEQ_NEW(pattern, p->arena, n);
        if (!names || !values) return made(p, NULL);
        for (Py_ssize_t i = 0; i < n; i++) {
            names->items[i] = p->scratch[base + 2 * i];
            values->items[i] = p->scratch[base + 2 * i + 1];
        }
        p->scratch_top = base;
    }
    if (p->failed || !accept(p, RPAR)) return NULL;
    return PATTERN(start, MatchClass, cls, patterns, names, values);
}

static pattern_ty parse_name_pattern(Parser *p)
{
    int start = p->mark;
    PyObject *name;
    if (p->tokens[start].soft == SOFT_UNDERSCORE) {        /* a wildcard, whatever follows */
        p->mark++;
        return PATTERN(start, MatchAs, NULL, NULL);
    }
    int next = peek(p, 1);
    if (next != DOT && next != LPAR) {
        if (next == EQUAL) return NULL;
        return capture_name(p, &name, true) ? PATTERN(start, MatchAs, NULL, name) : NULL;
    }
    expr_ty e = name_or_attribute(p);
    if (!e) return NULL;
    if (at(p) == LPAR) return parse_class_pattern(p, start, e);
    return at(p) == EQUAL ? NULL : PATTERN(start, MatchValue, e);
}

static pattern_ty parse_closed(Parser *p)
{
    int start = p->mark;
    switch (at(p)) {
    case NAME: return parse_name_pattern(p);
    case LPAR: return parse_bracket(p, RPAR);
    case LSQB: return parse_bracket(p, RSQB);
    case LBRACE: return parse_mapping(p);
    case KW_NONE: case KW_TRUE: case KW_FALSE: {
        PyObject *value = singleton(at(p));
        p->mark++;
        return PATTERN(start, MatchSingleton, value);
    }
    default:
        if (at_literal(p)) {
            expr_ty value = pattern_literal(p);
            return value ? PATTERN(start, MatchValue, value) : NULL;
        }
        return NULL;
    }
}

static pattern_ty parse_or_pattern(Parser *p)
{
    int start = p->mark;
    pattern_ty first = parse_closed(p);
    if (!first || at(p) != VBAR) return first;
    Py_ssize_t base = p->scratch_top;
    if (!push(p, first)) return NULL;
    while (accept(p, VBAR)) {
        pattern_ty next = parse_closed(p);
        if (!next || !push(p, next)) return NULL;
    }
    pattern_seq *patterns = TAKE(pattern, base);
    return p->failed ? NULL : PATTERN(start, MatchOr, patterns);
}

static pattern_ty parse_pattern(Parser *p)
{
    int start = p->mark;
    if (!enter(p, 10)) return NULL;
    pattern_ty pattern = parse_or_pattern(p);
    if (pattern && accept(p, KW_AS)) {
        PyObject *name;
        pattern = capture_name(p, &name, false) ? PATTERN(start, MatchAs, pattern, name) : NULL;
    }
    leave(p, 10);
    return pattern;
}

/* An open sequence, or one pattern. */
static pattern_ty parse_patterns(Parser *p)
{
    int start = p->mark;
    pattern_ty first = parse_maybe_star(p);
    if (!first) return NULL;
    if (at(p) != COMMA) return first->kind == MatchStar_kind ? NULL : first;
    Py_ssize_t base = p->scratch_top;
    if (!push(p, first)) return NULL;
    while (accept(p, COMMA) && at(p) != COLON && at(p) != KW_IF) {
        pattern_ty next = parse_maybe_star(p);
        if (!next || !push(p, next)) return NULL;
    }
    pattern_seq *patterns = TAKE(pattern, base);
    return p->failed ? NULL : PATTERN(start, MatchSequence, patterns);
}

/* ---- the statement ---- */

static match_case_ty parse_case(Parser *p)
{
    match_case_ty c = arena_alloc(p->arena, sizeof *c);
    if (!c) {
        p->failed = true;
        return NULL;
    }
    p->mark++;
    if (!(c->pattern = parse_patterns(p))) return NULL;
    if (accept(p, KW_IF) && !(c->guard = parse_named(p))) return NULL;
    return accept(p, COLON) && (c->body = parse_block(p)) ? c : NULL;
}

/* star_named_expression ',' ... | named_expression */
static expr_ty parse_subject(Parser *p)
{
    int start = p->mark;
    expr_ty first = parse_star_named(p);
    if (!first) return NULL;
    if (at(p) != COMMA) return first->kind == Starred_kind ? NULL : first;
    Py_ssize_t base = p->scratch_top;
    if (!push(p, first)) return NULL;
    while (accept(p, COMMA) && at(p) != COLON) {
        expr_ty e = parse_star_named(p);
        if (!e || !push(p, e)) return NULL;
    }
    expr_seq *elts = TAKE(expr, base);
    return p->failed ? NULL : EXPR(start, Tuple, elts, Load);
}

/* Whether a token behind `match` rules the statement out at once. */
static bool cannot_be_subject(int type)
{
    switch (type) {
    case NAME: case NUMBER: case STRING: case FSTRING_START: case LPAR: case LSQB: case LBRACE: case MINUS: case PLUS: case TILDE:
    case STAR: case ELLIPSIS: case KW_NONE: case KW_TRUE: case KW_FALSE: case KW_NOT: case KW_LAMBDA: case KW_AWAIT:
        return false;
    }
    return true;
}

stmt_ty parse_match(Parser *p, bool *is_match)
{
    int start = p->mark;
    *is_match = false;
    if (cannot_be_subject(peek(p, 1))) return NULL;
    Rewind here = rewind_point(p);
    p->mark++;
    expr_ty subject = parse_subject(p);
    if (!subject || !accept(p, COLON) || !accept(p, NEWLINE)) {
        if (p->failed) *is_match = true;
        rewind_to(p, here);
        return NULL;
    }
    *is_match = true;
    if (!accept(p, INDENT)) return NULL;
    Py_ssize_t base = p->scratch_top;
    while (at(p) == NAME && p->tokens[p->mark].soft == SOFT_CASE) {
        match_case_ty c = parse_case(p);
        if (!c || !push(p, c)) return NULL;
    }
    if (p->scratch_top == base || !accept(p, DEDENT)) return NULL;
    match_case_seq *cases = TAKE(match_case, base);
    if (p->failed || !check_version(p, 10, "Pattern matching is")) return NULL;
    stmt_ty s = NODE(stmt, start, Match, subject, cases);
    if (!s) p->failed = true;
    return s;
}
