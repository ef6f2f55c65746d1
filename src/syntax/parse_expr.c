/* Expressions: precedence climbing over a table, the rest by recursive descent. See parser_private.h for the manner.
 *
 * A target is parsed as an expression and turned into a target afterwards (set_context). */
#include "syntax/parser_private.h"

static expr_ty made(Parser *p, expr_ty e)
{
    if (UNLIKELY(!e)) p->failed = true;
    return e;
}
#define EXPR(start, ...) made(p, NODE(expr, start, __VA_ARGS__))

static expr_ty parse_inversion(Parser *p);
static expr_ty parse_factor(Parser *p);
static expr_ty parse_disjunction(Parser *p);

/* ---- targets ---- */

bool set_context(Parser *p, expr_ty e, expr_context_ty ctx)
{
    switch (e->kind) {
    case Name_kind: e->v.Name.ctx = ctx; return true;
    case Attribute_kind: e->v.Attribute.ctx = ctx; return true;
    case Subscript_kind: e->v.Subscript.ctx = ctx; return true;
    case Starred_kind:
        if (ctx == Del || e->v.Starred.value->kind == Starred_kind) return false;
        e->v.Starred.ctx = ctx;
        return set_context(p, e->v.Starred.value, ctx);
    case Tuple_kind: case List_kind: {
        expr_seq *elts = e->kind == Tuple_kind ? e->v.Tuple.elts : e->v.List.elts;
        if (e->kind == Tuple_kind) e->v.Tuple.ctx = ctx;
        else e->v.List.ctx = ctx;
        for (Py_ssize_t i = 0; i < seq_len(elts); i++) if (!set_context(p, elts->items[i], ctx)) return false;
        return true;
    }
    default: return false;
    }
}

/* ---- atoms ---- */

static expr_ty parse_name(Parser *p)
{
    int start = p->mark;
    PyObject *id = parser_name(p, &p->tokens[start]);
    if (!id) return NULL;
    p->mark++;
    return made(p, NODE_NEW(expr, p->arena, span_of_token(&p->tokens[start]), Name, id, Load));
}

static expr_ty parse_constant(Parser *p, PyObject *value)
{
    int start = p->mark++;
    return made(p, NODE_NEW(expr, p->arena, span_of_token(&p->tokens[start]), Constant, value, NULL));
}

/* outer: the weight of the bracket it is in. */
static comprehension_seq *parse_for_if_clauses(Parser *p, int outer)
{
    p->level += LEVEL_CLAUSES - outer;
    Py_ssize_t base = p->scratch_top;
    while (at(p) == KW_FOR || at(p) == KW_ASYNC) {
        bool is_async = accept(p, KW_ASYNC);
        if (!accept(p, KW_FOR)) return NULL;
        comprehension_ty c = arena_alloc(p->arena, sizeof *c);
        if (!c) {
            p->failed = true;
            return NULL;
        }
        c->is_async = is_async;
        if (!(c->target = parse_targets(p)) || !accept(p, KW_IN) || !(c->iter = parse_disjunction(p))) return NULL;
        Py_ssize_t ifs = p->scratch_top;
        p->level += LEVEL_CONDITION;
        while (accept(p, KW_IF)) {
            expr_ty test = parse_disjunction(p);
            if (!test || !push(p, test)) return NULL;
        }
        p->level -= LEVEL_CONDITION;
        c->ifs = TAKE(expr, ifs);
        if (is_async && !check_version(p, 6, "Async comprehensions are")) return NULL;
        if (p->failed || !push(p, c)) return NULL;
    }
    return TAKE(comprehension, base);
}

static bool at_comprehension(Parser *p)
{
    return at(p) == KW_FOR || at(p) == KW_ASYNC;
}

/* Elements up to, not over, the closing bracket; pushed. */
static bool parse_elements(Parser *p, int close)
{
    while (at(p) != close) {
        expr_ty e = parse_star_named(p);
        if (!e || !push(p, e)) return false;
        if (!accept(p, COMMA)) break;
    }
    return at(p) == close;
}

/* '(': a tuple, a group or a generator. */
static expr_ty parse_paren(Parser *p)
{
    int start = p->mark++;
    if (accept(p, RPAR)) return EXPR(start, Tuple, NULL, Load);
    if (at(p) == KW_YIELD) {
        expr_ty e = parse_yield_or_stars(p);
        return e && accept(p, RPAR) ? e : NULL;
    }
    expr_ty first = parse_star_named(p);
    if (!first) return NULL;
    if (accept(p, RPAR)) return first->kind == Starred_kind ? NULL : first;
    if (at_comprehension(p)) {
        if (first->kind == Starred_kind) return NULL;
        comprehension_seq *generators = parse_for_if_clauses(p, LEVEL_GROUP);
        if (!generators || !accept(p, RPAR)) return NULL;
        return EXPR(start, GeneratorExp, first, generators);
    }
    Py_ssize_t base = p->scratch_top;
    p->level += LEVEL_LATER_ELEMENT;
    if (!push(p, first) || !accept(p, COMMA) || !parse_elements(p, RPAR)) return NULL;
    p->mark++;
    expr_seq *elts = TAKE(expr, base);
    return EXPR(start, Tuple, elts, Load);
}

static expr_ty parse_list(Parser *p)
{
    int start = p->mark++;
    if (accept(p, RSQB)) return EXPR(start, List, NULL, Load);
    expr_ty first = parse_star_named(p);
    if (!first) return NULL;
    if (at_comprehension(p)) {
        if (first->kind == Starred_kind) return NULL;
        comprehension_seq *generators = parse_for_if_clauses(p, LEVEL_DISPLAY);
        if (!generators || !accept(p, RSQB)) return NULL;
        return EXPR(start, ListComp, first, generators);
    }
    Py_ssize_t base = p->scratch_top;
    p->level += LEVEL_LATER_ELEMENT - 1;
    if (!push(p, first)) return NULL;
    if (accept(p, COMMA) && !parse_elements(p, RSQB)) return NULL;
    if (!accept(p, RSQB)) return NULL;
    expr_seq *elts = TAKE(expr, base);
    return EXPR(start, List, elts, Load);
}

/* The rest of a dict after its first pair; keys and values are pushed in turn. key NULL: a mapping. */
static expr_ty parse_dict_rest(Parser *p, int start, expr_ty key, expr_ty value)
{
    Py_ssize_t base = p->scratch_top;
    p->level += LEVEL_LATER_ELEMENT - 1;
    if (!push(p, key) || !push(p, value)) return NULL;
    while (accept(p, COMMA) && at(p) != RBRACE) {
        if (accept(p, DOUBLESTAR)) {
            key = NULL;
            value = parse_bitwise_or(p);
        }
        else {
            if (!(key = parse_expression(p)) || !accept(p, COLON)) return NULL;
            value = parse_expression(p);
        }
        if (!value || !push(p, key) || !push(p, value)) return NULL;
    }
    if (!accept(p, RBRACE)) return NULL;
    Py_ssize_t n = (p->scratch_top - base) / 2;
    expr_seq *keys = SEQ_NEW(expr, p->arena, n), *values = SEQ_NEW(expr, p->arena, n);
    if (!keys || !values) return made(p, NULL);
    for (Py_ssize_t i = 0; i < n; i++) {
        keys->items[i] = p->scratch[base + 2 * i];
        values->items[i] = p->scratch[base + 2 * i + 1];
    }
    p->scratch_top = base;
    return EXPR(start, Dict, keys, values);
}

static expr_ty parse_brace(Parser *p)
{
    int start = p->mark++;
    expr_ty key, value;
    if (accept(p, RBRACE)) return EXPR(start, Dict, NULL, NULL);
    if (accept(p, DOUBLESTAR)) return (value = parse_bitwise_or(p)) ? parse_dict_rest(p, start, NULL, value) : NULL;
    bool named = at(p) == NAME && peek(p, 1) == COLONEQUAL;
    expr_ty first = parse_star_named(p);
    if (!first) return NULL;
    if (!named && first->kind != Starred_kind && accept(p, COLON)) {
        key = first;
        if (!(value = parse_expression(p))) return NULL;
        if (!at_comprehension(p)) return parse_dict_rest(p, start, key, value);
        comprehension_seq *generators = parse_for_if_clauses(p, LEVEL_DISPLAY);
        if (!generators || !accept(p, RBRACE)) return NULL;
        return EXPR(start, DictComp, key, value, generators);
    }
    if (at_comprehension(p)) {
        if (first->kind == Starred_kind) return NULL;
        comprehension_seq *generators = parse_for_if_clauses(p, LEVEL_DISPLAY);
        if (!generators || !accept(p, RBRACE)) return NULL;
        return EXPR(start, SetComp, first, generators);
    }
    Py_ssize_t base = p->scratch_top;
    if (!push(p, first)) return NULL;
    if (accept(p, COMMA) && !parse_elements(p, RBRACE)) return NULL;
    if (!accept(p, RBRACE)) return NULL;
    expr_seq *elts = TAKE(expr, base);
    return EXPR(start, Set, elts);
}

static expr_ty parse_bracketed(Parser *p, expr_ty (*parse)(Parser *), int weight)
{
    int outer = p->level;
    if (!enter(p, weight)) return NULL;
    expr_ty e = parse(p);
    leave_to(p, outer);
    return e;
}

static expr_ty parse_atom(Parser *p)
{
    switch (at(p)) {
    case NAME: return parse_name(p);
    case NUMBER: {
        PyObject *value = literal_number(p, &p->tokens[p->mark]);
        return value ? parse_constant(p, value) : NULL;
    }
    case STRING: case FSTRING_START: return parse_strings(p);
    case LPAR: return parse_bracketed(p, parse_paren, LEVEL_GROUP);
    case LSQB: return parse_bracketed(p, parse_list, LEVEL_DISPLAY);
    case LBRACE: return parse_bracketed(p, parse_brace, LEVEL_DISPLAY);
    case KW_NONE: return parse_constant(p, Py_None);
    case KW_TRUE: return parse_constant(p, Py_True);
    case KW_FALSE: return parse_constant(p, Py_False);
    case ELLIPSIS: return parse_constant(p, Py_Ellipsis);
    default: return NULL;
    }
}

/* ---- primaries ---- */

static bool push_keyword(Parser *p, int start, PyObject *name, keyword_seq **list, Py_ssize_t *room)
{
    expr_ty value = parse_expression(p);
    keyword_ty keyword = value ? arena_alloc(p->arena, sizeof *keyword) : NULL;
    if (!keyword) {
        if (value) p->failed = true;
        return false;
    }
    Span span = span_from(p, start);
    *keyword = (struct keyword){ .lineno = span.lineno, .col_offset = span.col_offset, .end_lineno = span.end_lineno,
                                 .end_col_offset = span.end_col_offset, .arg = name, .value = value };
    keyword_seq *seq = *list;
    if (!seq || seq->size == *room) {                      /* keywords grow apart from the scratch stack, which holds args */
        *room = *room ? *room * 2 : 4;
        keyword_seq *bigger = SEQ_NEW(keyword, p->arena, *room);
        if (!bigger) {
            p->failed = true;
            return false;
        }
        bigger->size = seq_len(seq);
        if (seq) memcpy(bigger->items, seq->items, (size_t)seq->size * sizeof seq->items[0]);
        *list = seq = bigger;
    }
    seq->items[seq->size++] = keyword;
    return true;
}

bool parse_arguments(Parser *p, expr_seq **args, keyword_seq **keywords)
{
    Py_ssize_t base = p->scratch_top, room = 0;
    bool seen_keyword = false, seen_mapping = false;
    *keywords = NULL;
    p->level += LEVEL_LATER_TRAILER;
    while (at(p) != RPAR) {
        int start = p->mark;
        if (accept(p, STAR)) {
            if (seen_mapping) return false;
            expr_ty value = parse_expression(p), e = value ? EXPR(start, Starred, value, Load) : NULL;
            if (!e || !push(p, e)) return false;
        }
        else if (accept(p, DOUBLESTAR)) {
            seen_keyword = seen_mapping = true;
            if (!push_keyword(p, start, NULL, keywords, &room)) return false;
        }
        else if (at(p) == NAME && peek(p, 1) == EQUAL) {
            seen_keyword = true;
            PyObject *name = parser_name(p, &p->tokens[start]);
            p->mark += 2;
            if (!name || !push_keyword(p, start, name, keywords, &room)) return false;
        }
        else {
            if (seen_keyword) return false;
            expr_ty e = parse_named(p);
            if (!e || !push(p, e)) return false;
        }
        if (!accept(p, COMMA)) break;
    }
    if (at(p) != RPAR) return false;
    *args = TAKE(expr, base);
    return !p->failed;
}

/* '(' after a primary. */
static expr_ty parse_call(Parser *p, int start, expr_ty func)
{
    int open = p->mark++;
    expr_seq *args = NULL;
    keyword_seq *keywords = NULL;
    if (accept(p, RPAR)) return EXPR(start, Call, func, NULL, NULL);
    int type = at(p);
    if (type != STAR && type != DOUBLESTAR && !(type == NAME && peek(p, 1) == EQUAL)) {
        expr_ty first = parse_named(p);                    /* a lone generator needs no brackets of its own */
        if (!first) return NULL;
        if (accept(p, RPAR)) args = ONE_OF(expr, first);
        else if (at_comprehension(p)) {
            comprehension_seq *generators = parse_for_if_clauses(p, LEVEL_TRAILER + 2);
            if (!generators || !accept(p, RPAR)) return NULL;
            expr_ty e = EXPR(open, GeneratorExp, first, generators);
            if (!e) return NULL;
            args = ONE_OF(expr, e);
        }
        else {
            if (!accept(p, COMMA)) return NULL;
            p->level++;
            Py_ssize_t base = p->scratch_top;
            expr_seq *rest;
            if (!push(p, first) || !parse_arguments(p, &rest, &keywords)) return NULL;
            for (Py_ssize_t i = 0; i < seq_len(rest); i++) if (!push(p, rest->items[i])) return NULL;
            args = TAKE(expr, base);
            p->mark++;
        }
    }
    else {
        if (!parse_arguments(p, &args, &keywords)) return NULL;
        p->mark++;
    }
    return p->failed ? NULL : EXPR(start, Call, func, args, keywords);
}

static expr_ty parse_slice(Parser *p)
{
    int start = p->mark;
    expr_ty lower = NULL, upper = NULL, step = NULL;
    if (at(p) == STAR) {
        p->mark++;
        expr_ty value = parse_expression(p);
        return value ? EXPR(start, Starred, value, Load) : NULL;
    }
    if (at(p) != COLON) {
        bool named = at(p) == NAME && peek(p, 1) == COLONEQUAL;
        if (!(lower = parse_named(p))) return NULL;
        if (at(p) != COLON) return lower;
        if (named) return NULL;
    }
    p->mark++;
    int type = at(p);
    if (type != COLON && type != COMMA && type != RSQB && !(upper = parse_expression(p))) return NULL;
    if (accept(p, COLON)) {
        type = at(p);
        if (type != COMMA && type != RSQB && !(step = parse_expression(p))) return NULL;
    }
    return EXPR(start, Slice, lower, upper, step);
}

static expr_ty parse_slices(Parser *p)
{
    int start = p->mark;
    expr_ty first = parse_slice(p);
    if (!first) return NULL;
    if (at(p) != COMMA && first->kind != Starred_kind) return first;
    Py_ssize_t base = p->scratch_top;
    if (!push(p, first)) return NULL;
    p->level += LEVEL_LATER_TRAILER;
    while (accept(p, COMMA) && at(p) != RSQB) {
        expr_ty e = parse_slice(p);
        if (!e || !push(p, e)) return NULL;
    }
    expr_seq *elts = TAKE(expr, base);
    return p->failed ? NULL : EXPR(start, Tuple, elts, Load);
}

static expr_ty parse_trailers(Parser *p, int start, expr_ty e)
{
    int outer = p->level;
    while (e) {
        switch (at(p)) {
        case DOT: {
            p->mark++;
            if (at(p) != NAME) return NULL;
            PyObject *name = parser_name(p, &p->tokens[p->mark]);
            p->mark++;
            if (!name) return NULL;
            e = EXPR(start, Attribute, e, name, Load);
            break;
        }
        case LPAR:
            if (!enter(p, LEVEL_TRAILER)) return NULL;
            e = parse_call(p, start, e);
            leave_to(p, outer);
            break;
        case LSQB: {
            p->mark++;
            if (!enter(p, LEVEL_TRAILER)) return NULL;
            expr_ty slice = parse_slices(p);
            leave_to(p, outer);
            if (!slice || !accept(p, RSQB)) return NULL;
            e = EXPR(start, Subscript, e, slice, Load);
            break;
        }
        default: return e;
        }
    }
    return NULL;
}

expr_ty parse_primary(Parser *p)
{
    int start = p->mark;
    return parse_trailers(p, start, parse_atom(p));
}

/* ---- operators ---- */

static const struct { uint8_t precedence; uint8_t op; } binary_operators[256] = {
    [VBAR] = { 1, BitOr }, [CIRCUMFLEX] = { 2, BitXor }, [AMPER] = { 3, BitAnd },
    [LEFTSHIFT] = { 4, LShift }, [RIGHTSHIFT] = { 4, RShift }, [PLUS] = { 5, Add }, [MINUS] = { 5, Sub },
    [STAR] = { 6, Mult }, [SLASH] = { 6, Div }, [DOUBLESLASH] = { 6, FloorDiv }, [PERCENT] = { 6, Mod }, [AT] = { 6, MatMult },
};

static expr_ty parse_power(Parser *p)
{
    int start = p->mark;
    expr_ty e;
    if (UNLIKELY(at(p) == KW_AWAIT)) {
        p->mark++;
        if (!(e = parse_primary(p)) || !check_version(p, 5, "Await expressions are")) return NULL;
        e = EXPR(start, Await, e);
    }
    else e = parse_primary(p);
    if (!e || at(p) != DOUBLESTAR) return e;
    p->mark++;
    if (!enter(p, 2)) return NULL;
    expr_ty right = parse_factor(p);
    leave(p, 2);
    return right ? EXPR(start, BinOp, e, Pow, right) : NULL;
}

static expr_ty parse_factor(Parser *p)
{
    int start = p->mark, type = at(p);
    unaryop_ty op = type == MINUS ? USub : type == PLUS ? UAdd : type == TILDE ? Invert : 0;
    if (LIKELY(!op)) return parse_power(p);
    p->mark++;
    if (!enter(p, 1)) return NULL;
    expr_ty operand = parse_factor(p);
    leave(p, 1);
    return operand ? EXPR(start, UnaryOp, op, operand) : NULL;
}

static expr_ty parse_binary(Parser *p, int lowest)
{
    int start = p->mark;
    expr_ty left = parse_factor(p);
    while (left) {
        int type = at(p), precedence = binary_operators[type].precedence;
        if (LIKELY(precedence < lowest)) return left;
        p->mark++;
        expr_ty right = parse_binary(p, precedence + 1);
        if (!right || (type == AT && !check_version(p, 5, "The '@' operator is"))) return NULL;
        left = EXPR(start, BinOp, left, binary_operators[type].op, right);
    }
    return NULL;
}

expr_ty parse_bitwise_or(Parser *p) { return parse_binary(p, 1); }

/* The comparison operator that comes next, consumed; 0: none. */
static int comparison_operator(Parser *p)
{
    int op;
    switch (at(p)) {
    case EQEQUAL: op = Eq; break;
    case NOTEQUAL: {
        bool old = p->tok.text[p->tokens[p->mark].start] == '<';
        if (old != p->barry_as_bdfl) {
            if (p->barry_as_bdfl)
                parser_raise_last(p, PyExc_SyntaxError, "with Barry as BDFL, use '<>' instead of '!='");
            return 0;
        }
        op = NotEq;
        break;
    }
    case LESS: op = Lt; break;
    case LESSEQUAL: op = LtE; break;
    case GREATER: op = Gt; break;
    case GREATEREQUAL: op = GtE; break;
    case KW_IN: op = In; break;
    case KW_IS:
        p->mark++;
        if (accept(p, KW_NOT)) return IsNot;
        return Is;
    case KW_NOT:
        if (peek(p, 1) != KW_IN) return 0;
        p->mark += 2;
        return NotIn;
    default: return 0;
    }
    p->mark++;
    return op;
}

static expr_ty parse_comparison(Parser *p)
{
    int start = p->mark;
    expr_ty left = parse_binary(p, 1);
    if (!left) return NULL;
    int op = comparison_operator(p);
    if (LIKELY(!op)) return p->failed ? NULL : left;
    Py_ssize_t base = p->scratch_top;
    int ops[8];
    Py_ssize_t n = 0;
    cmpop_seq *more = NULL;                                /* chains longer than the array above */
    do {
        if (n < 8) ops[n] = op;
        else {
            if (!more || n == more->size) {
                cmpop_seq *bigger = SEQ_NEW(cmpop, p->arena, n * 2);
                if (!bigger) return made(p, NULL);
                for (Py_ssize_t i = 0; i < n; i++) bigger->items[i] = more ? more->items[i] : (cmpop_ty)ops[i];
                more = bigger;
            }
            more->items[n] = (cmpop_ty)op;
        }
        n++;
        p->level += LEVEL_COMPARE;
        expr_ty right = parse_binary(p, 1);
        p->level -= LEVEL_COMPARE;
        if (!right || !push(p, right)) return NULL;
    } while ((op = comparison_operator(p)));
    if (p->failed) return NULL;
    cmpop_seq *seq = more;
    if (!seq) {
        if (!(seq = SEQ_NEW(cmpop, p->arena, n))) return made(p, NULL);
        for (Py_ssize_t i = 0; i < n; i++) seq->items[i] = (cmpop_ty)ops[i];
    }
    seq->size = n;
    expr_seq *comparators = TAKE(expr, base);
    return p->failed ? NULL : EXPR(start, Compare, left, seq, comparators);
}

static expr_ty parse_inversion(Parser *p)
{
    if (LIKELY(at(p) != KW_NOT)) return parse_comparison(p);
    int start = p->mark++;
    if (!enter(p, 1)) return NULL;
    expr_ty operand = parse_inversion(p);
    leave(p, 1);
    return operand ? EXPR(start, UnaryOp, Not, operand) : NULL;
}

static expr_ty parse_bool(Parser *p, expr_ty (*parse)(Parser *), int word, boolop_ty op)
{
    int start = p->mark;
    expr_ty first = parse(p);
    if (!first || LIKELY(at(p) != word)) return first;
    Py_ssize_t base = p->scratch_top;
    if (!push(p, first)) return NULL;
    while (accept(p, word)) {
        p->level += LEVEL_BOOL;
        expr_ty next = parse(p);
        p->level -= LEVEL_BOOL;
        if (!next || !push(p, next)) return NULL;
    }
    expr_seq *values = TAKE(expr, base);
    return p->failed ? NULL : EXPR(start, BoolOp, op, values);
}

static expr_ty parse_conjunction(Parser *p) { return parse_bool(p, parse_inversion, KW_AND, And); }
static expr_ty parse_disjunction(Parser *p) { return parse_bool(p, parse_conjunction, KW_OR, Or); }

/* ---- lambda, conditional, named ---- */

static expr_ty parse_lambda(Parser *p)
{
    int start = p->mark++;
    arguments_ty args = parse_parameters(p, true);
    if (!args || !accept(p, COLON)) return NULL;
    if (!enter(p, 1)) return NULL;
    expr_ty body = parse_expression(p);
    leave(p, 1);
    return body ? EXPR(start, Lambda, args, body) : NULL;
}

expr_ty parse_expression(Parser *p)
{
    if (!enter(p, 1)) return NULL;
    expr_ty result = NULL;
    int start = p->mark;
    if (at(p) == KW_LAMBDA) result = parse_lambda(p);
    else {
        expr_ty body = parse_disjunction(p), test, orelse;
        if (body && accept(p, KW_IF)) {
            if ((test = parse_disjunction(p)) && accept(p, KW_ELSE) && (orelse = parse_expression(p)))
                result = EXPR(start, IfExp, test, body, orelse);
        }
        else result = body;
    }
    leave(p, 1);
    return result;
}

expr_ty parse_named(Parser *p)
{
    int start = p->mark;
    if (at(p) != NAME || peek(p, 1) != COLONEQUAL) {
        expr_ty e = parse_expression(p);
        return e && at(p) == COLONEQUAL ? NULL : e;
    }
    expr_ty target = parse_name(p);
    if (!target) return NULL;
    p->mark++;
    target->v.Name.ctx = Store;
    expr_ty value = parse_expression(p);
    if (!value || !check_version(p, 8, "Assignment expressions are")) return NULL;
    return EXPR(start, NamedExpr, target, value);
}

/* ---- lists of expressions ---- */

expr_ty parse_star_expression(Parser *p)
{
    int start = p->mark;
    if (LIKELY(!accept(p, STAR))) return parse_expression(p);
    expr_ty value = parse_bitwise_or(p);
    return value ? EXPR(start, Starred, value, Load) : NULL;
}

expr_ty parse_star_named(Parser *p)
{
    return at(p) == STAR ? parse_star_expression(p) : parse_named(p);
}

/* Whether a token can begin an expression: after a comma this tells a further element from the end. */
static bool begins_expression(int type)
{
    switch (type) {
    case NAME: case NUMBER: case STRING: case FSTRING_START: case LPAR: case LSQB: case LBRACE: case MINUS: case PLUS: case TILDE:
    case STAR: case ELLIPSIS: case KW_NONE: case KW_TRUE: case KW_FALSE: case KW_NOT: case KW_LAMBDA: case KW_AWAIT:
        return true;
    }
    return false;
}

static expr_ty parse_tuple_of(Parser *p, expr_ty (*parse)(Parser *))
{
    int start = p->mark;
    expr_ty first = parse(p);
    if (!first || LIKELY(at(p) != COMMA)) return first;
    Py_ssize_t base = p->scratch_top;
    if (!push(p, first)) return NULL;
    while (accept(p, COMMA) && begins_expression(at(p))) {
        expr_ty e = parse(p);
        if (!e || !push(p, e)) return NULL;
    }
    expr_seq *elts = TAKE(expr, base);
    return p->failed ? NULL : EXPR(start, Tuple, elts, Load);
}

expr_ty parse_star_expressions(Parser *p) { return parse_tuple_of(p, parse_star_expression); }
expr_ty parse_expressions(Parser *p) { return parse_tuple_of(p, parse_expression); }

expr_ty parse_yield_or_stars(Parser *p)
{
    int start = p->mark;
    if (LIKELY(!accept(p, KW_YIELD))) return parse_star_expressions(p);
    if (accept(p, KW_FROM)) {
        expr_ty value = parse_expression(p);
        return value ? EXPR(start, YieldFrom, value) : NULL;
    }
    expr_ty value = NULL;
    if (begins_expression(at(p)) && !(value = parse_star_expressions(p))) return NULL;
    return EXPR(start, Yield, value);
}

expr_ty parse_target(Parser *p)
{
    int start = p->mark;
    expr_ty e;
    if (accept(p, STAR)) {
        if (!(e = parse_primary(p)) || !(e = EXPR(start, Starred, e, Load))) return NULL;
    }
    else if (!(e = parse_primary(p))) return NULL;
    return set_context(p, e, Store) ? e : NULL;
}

expr_ty parse_targets(Parser *p)
{
    expr_ty e = parse_tuple_of(p, parse_target);
    return e && set_context(p, e, Store) ? e : NULL;
}

/* ---- parameters ---- */


static arg_ty parse_parameter(Parser *p, bool lambda, bool star_annotation)
{
    int start = p->mark;
    if (at(p) != NAME) return NULL;
    PyObject *name = parser_name(p, &p->tokens[start]);
    if (!name) return NULL;
    p->mark++;
    expr_ty annotation = NULL;
    if (!lambda && accept(p, COLON) && !(annotation = star_annotation ? parse_star_expression(p) : parse_expression(p))) return NULL;
    arg_ty arg = arena_alloc(p->arena, sizeof *arg);
    if (!arg) {
        p->failed = true;
        return NULL;
    }
    Span span = span_from(p, start);
    *arg = (struct arg){ .lineno = span.lineno, .col_offset = span.col_offset, .end_lineno = span.end_lineno,
                         .end_col_offset = span.end_col_offset, .arg = name, .annotation = annotation };
    return arg;
}

/* ',' or the end, with a type comment on either side. */
static bool finish_parameter(Parser *p, arg_ty arg, bool lambda)
{
    int close = lambda ? COLON : RPAR;
    bool comma = accept(p, COMMA);
    if (!lambda && at(p) == TYPE_COMMENT) {
        if (arg && !(arg->type_comment = parser_type_comment(p, &p->tokens[p->mark]))) return false;
        p->mark++;
    }
    return comma || at(p) == close;
}

/* The parameters of one section, up to '/', '*', '**' or the end. Defaults (NULL where missing) go to a list apart; positional
 * parameters must have one once one had. */
static bool parse_parameter_run(Parser *p, bool lambda, expr_seq **defaults, bool *defaulted, bool keyword_only)
{
    while (at(p) == NAME) {
        arg_ty arg = parse_parameter(p, lambda, false);
        expr_ty value = NULL;
        if (!arg || !push(p, arg)) return false;
        if (accept(p, EQUAL)) {
            if (!(value = parse_expression(p))) return false;
            *defaulted = true;
        }
        else if (*defaulted && !keyword_only) return false;
        if (value || keyword_only) {                       /* an arena cannot shrink: grow by doubling */
            expr_seq *seq = *defaults;
            Py_ssize_t n = seq_len(seq);
            if ((n & (n - 1)) == 0) {
                expr_seq *bigger = SEQ_NEW(expr, p->arena, n ? n * 2 : 1);
                if (!bigger) {
                    p->failed = true;
                    return false;
                }
                for (Py_ssize_t i = 0; i < n; i++) bigger->items[i] = seq->items[i];
                *defaults = seq = bigger;
            }
            seq->size = n + 1;
            seq->items[n] = value;
        }
        if (!finish_parameter(p, arg, lambda)) return false;
    }
    return true;
}

arguments_ty parse_parameters(Parser *p, bool lambda)
{
    int close = lambda ? COLON : RPAR;
    arguments_ty args = arena_alloc(p->arena, sizeof *args);
    if (!args) {
        p->failed = true;
        return NULL;
    }
    Py_ssize_t base = p->scratch_top;
    bool defaulted = false;
    if (!parse_parameter_run(p, lambda, &args->defaults, &defaulted, false)) return NULL;
    if (at(p) == SLASH) {
        p->mark++;
        if (p->scratch_top == base) return NULL;
        args->posonlyargs = TAKE(arg, base);
        if (!accept(p, COMMA) && at(p) != close) return NULL;
        if (!parse_parameter_run(p, lambda, &args->defaults, &defaulted, false)) return NULL;
    }
    args->args = TAKE(arg, base);
    if (accept(p, STAR)) {
        if (at(p) == COMMA) {
            p->mark++;
            if (at(p) != NAME) return NULL;
        }
        else {
            if (!(args->vararg = parse_parameter(p, lambda, true)) || !finish_parameter(p, args->vararg, lambda)) return NULL;
        }
        bool any = false;
        if (!parse_parameter_run(p, lambda, &args->kw_defaults, &any, true)) return NULL;
        args->kwonlyargs = TAKE(arg, base);
    }
    if (accept(p, DOUBLESTAR)) {
        if (!(args->kwarg = parse_parameter(p, lambda, false)) || !finish_parameter(p, args->kwarg, lambda)) return NULL;
    }
    if (p->failed || at(p) != close) return NULL;
    return !args->posonlyargs || check_version(p, 8, "Positional-only parameters are") ? args : NULL;
}
