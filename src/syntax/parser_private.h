/* What the files of the parser share. Text is parsed twice at most: first by the recursive descent of parse_*.c, which is fast
 * and only knows right from wrong; when it fails without an exception, diagnose.c goes through the failing statement again to
 * find CPython's words for what is wrong.
 *
 * Tokens are fetched on demand and kept; `mark` is the index of the next one. A parse function returns NULL when its text does
 * not fit (or with an exception, then `failed` is set); it need not restore the mark: nothing is tried twice except where
 * `Rewind` says so. */
#ifndef TAIPAN_SYNTAX_PARSER_PRIVATE_H
#define TAIPAN_SYNTAX_PARSER_PRIVATE_H

#include "syntax/syntax.h"
#include "syntax/tokenizer.h"

typedef struct NameEntry {
    const char *text;                                      /* copy in the arena */
    PyObject *object;                                      /* owned by the arena */
    uint32_t hash, length;
} NameEntry;

typedef struct TypeIgnoreList { struct TypeIgnoreList *next; int lineno; PyObject *tag; } TypeIgnoreList;

typedef struct Parser {
    Arena *arena;
    Token *tokens;
    int mark, fill, room;
    int level;                                             /* nesting, in units of LEVEL_MAX */
    bool failed;                                           /* an exception is set */
    bool started;                                          /* Py_single_input: a token was seen since the last implied NEWLINE */
    bool diagnosing, barry_as_bdfl, must_validate;
    bool escapes_silent;                                   /* no warnings about escapes: the rules for mistakes are at work */
    int start;                                             /* Py_file_input, ... */
    int flags, feature_version;
    int shown_fill;                                        /* while diagnosing: how many tokens were looked at */
    int warned_up_to;                                      /* token index: escapes before it have been warned about */
    int statement_mark;                                    /* where the statement in hand begins at top level */
    int statement_level;
    bool error_was_eof;
    PyObject *filename;
    void **scratch;                                        /* stack of items for sequences being built */
    Py_ssize_t scratch_top, scratch_room;
    NameEntry *names;
    uint32_t names_count, names_mask;
    PyObject *normalize;                                   /* unicodedata.normalize, once needed */
    PyObject *kind_u;
    TypeIgnoreList *type_ignores, **type_ignores_end;
    int type_ignores_count;
    Tokenizer tok;
} Parser;

/* CPython counts the calls of its grammar's rules and gives up at 6,000. What a nesting costs here is what it costs there, measured:
 * the largest number of `not` that still goes in behind N brackets. */
enum {
    LEVEL_MAX = 6000, LEVEL_BASE = 24,
    LEVEL_GROUP = 27, LEVEL_DISPLAY = 28, LEVEL_TRAILER = 23,        /* up to the first thing inside the brackets */
    LEVEL_LATER_ELEMENT = 2, LEVEL_LATER_TRAILER = 3,                /* the others go in deeper */
    LEVEL_BOOL = 2, LEVEL_COMPARE = 3,                               /* operands behind the first */
    LEVEL_CLAUSES = 27, LEVEL_CONDITION = 2,                         /* of a comprehension, in a call two less */
};

/* ---- tokens (parser.c) ---- */

int parser_fetch(Parser *p);                               /* one more token: its type */

/* The type of the next token. */
static ALWAYS_INLINE int at(Parser *p)
{
    if (LIKELY(p->mark < p->fill)) return p->tokens[p->mark].type;
    return parser_fetch(p);
}

/* The type of the token n behind the next one. */
static inline int peek(Parser *p, int n)
{
    while (p->fill <= p->mark + n) {
        int type = parser_fetch(p);
        if (type == ERRORTOKEN || type == ENDMARKER) return type;
    }
    return p->tokens[p->mark + n].type;
}

static ALWAYS_INLINE bool accept(Parser *p, int type)
{
    if (at(p) != type) return false;
    p->mark++;
    return true;
}

/* ---- places ---- */

static inline const Token *last_token(Parser *p)
{
    int i = p->mark - 1;
    while (i > 0 && (p->tokens[i].type == ENDMARKER || (p->tokens[i].type >= NEWLINE && p->tokens[i].type <= DEDENT))) i--;
    return &p->tokens[i < 0 ? 0 : i];
}

static inline Span span_from(Parser *p, int start)
{
    const Token *first = &p->tokens[start], *last = last_token(p);
    return (Span){ first->lineno, first->col, last->end_lineno, last->end_col };
}

static inline Span span_of_token(const Token *t) { return (Span){ t->lineno, t->col, t->end_lineno, t->end_col }; }

#define NODE(type, start, ...) NODE_NEW(type, p->arena, span_from(p, start), __VA_ARGS__)

/* ---- sequences ---- */

int scratch_grow(Parser *p);

static ALWAYS_INLINE bool push(Parser *p, void *item)
{
    if (UNLIKELY(p->scratch_top == p->scratch_room) && scratch_grow(p) < 0) return false;
    p->scratch[p->scratch_top++] = item;
    return true;
}

/* Takes what was pushed since base as a sequence; NULL with p->failed on error, NULL when there is nothing. */
any_seq *seq_take(Parser *p, Py_ssize_t base);
#define TAKE(type, base) ((type##_seq *)seq_take(p, base))
any_seq *seq_of_one(Parser *p, void *item);
#define ONE_OF(type, item) ((type##_seq *)seq_of_one(p, item))

/* ---- trying ---- */

typedef struct { int mark; int level; Py_ssize_t scratch_top; } Rewind;
static inline Rewind rewind_point(Parser *p) { return (Rewind){ p->mark, p->level, p->scratch_top }; }
static inline void rewind_to(Parser *p, Rewind r) { p->mark = r.mark; p->level = r.level; p->scratch_top = r.scratch_top; }

/* ---- nesting: enter() false means an exception is set ---- */

bool parser_overflow(Parser *p);
static ALWAYS_INLINE bool enter(Parser *p, int weight)
{
    p->level += weight;
    if (UNLIKELY(p->level > LEVEL_MAX)) return parser_overflow(p);
    if (UNLIKELY(Py_EnterRecursiveCall(" during compilation"))) {
        p->failed = true;
        return false;
    }
    return true;
}
static ALWAYS_INLINE void leave(Parser *p, int weight)
{
    p->level -= weight;
    Py_LeaveRecursiveCall();
}

/* Leaves brackets whose inside has deepened p->level; outer: the level before enter(). */
static ALWAYS_INLINE void leave_to(Parser *p, int outer)
{
    p->level = outer;
    Py_LeaveRecursiveCall();
}

/* ---- names and errors (parser.c) ---- */

PyObject *parser_name(Parser *p, const Token *t);          /* interned; borrowed from the arena */
PyObject *parser_intern(Parser *p, const char *text, Py_ssize_t length);
PyObject *parser_own(Parser *p, PyObject *object);         /* STEALS; gives it to the arena, borrowed back; NULL stays NULL */
PyObject *parser_type_comment(Parser *p, const Token *t);
/* Raises SyntaxError (or the like). Lines from 1, columns in bytes from 0. All return NULL. */
void *parser_raise_at(Parser *p, PyObject *type, Span span, const char *format, ...);
void *parser_raise_token(Parser *p, const Token *t, const char *format, ...);
void *parser_raise_last(Parser *p, PyObject *type, const char *format, ...);                /* at the last token read */
void *parser_raise_offsets(Parser *p, PyObject *type, Py_ssize_t lineno, Py_ssize_t col, Py_ssize_t end_lineno,
                           Py_ssize_t end_col, const char *format, ...);                     /* columns from 1, as they are */
void *parser_raise_unclosed(Parser *p);
bool parser_tokenizer_error(Parser *p);                    /* turns tok.done into an exception; false */
bool check_version(Parser *p, int minor, const char *what);
void *parser_raise_index(Parser *p, PyObject *type, int token, const char *format, ...);     /* at a token, which may have no text */
/* Raises what is wrong with a text that the parser refused without an exception. `incomplete` is asked when it is clear how far
 * the text makes sense; true: it has raised. */
void parser_diagnose(Parser *p, bool (*incomplete)(Parser *));
const char *diagnose_expression_name(int kind, Parser *p, int first_token);
/* Reads the rest of the input for errors of the tokenizer, which take precedence over the pending exception. */
void parser_check_rest(Parser *p, int last_token);

/* ---- literals (literals.c) ---- */

PyObject *literal_number(Parser *p, const Token *t);       /* borrowed from the arena */
expr_ty literal_string(Parser *p, int token);              /* a STRING token as a Constant */
expr_ty literal_format_text(Parser *p, int token);         /* a FSTRING_MIDDLE token of a format as a Constant */
/* The tokens of adjacent string literals: mark stands at the first. */
expr_ty parse_strings(Parser *p);
/* Body of a string literal; new reference. `t` is blamed for bad escapes. */
PyObject *literal_unescape(Parser *p, const char *s, Py_ssize_t length, bool raw, const Token *t);
expr_ty literal_concatenate(Parser *p, expr_seq *parts, Span span);

/* ---- expressions (parse_expr.c) ---- */

expr_ty parse_expression(Parser *p);
expr_ty parse_named(Parser *p);                            /* named_expression */
expr_ty parse_star_expressions(Parser *p);
expr_ty parse_star_named(Parser *p);
expr_ty parse_yield_or_stars(Parser *p);                   /* annotated_rhs */
expr_ty parse_expressions(Parser *p);                      /* no stars */
expr_ty parse_bitwise_or(Parser *p);
expr_ty parse_primary(Parser *p);
expr_ty parse_target(Parser *p);                           /* star_target, Store */
expr_ty parse_targets(Parser *p);                          /* star_targets, Store */
expr_ty parse_star_expression(Parser *p);
bool parse_arguments(Parser *p, expr_seq **args, keyword_seq **keywords);     /* up to, not over, ')' */
/* Turns an expression into a target in place; false when it cannot be one. */
bool set_context(Parser *p, expr_ty e, expr_context_ty ctx);
arguments_ty parse_parameters(Parser *p, bool lambda);     /* up to, not over, ')' or ':' */

/* ---- statements and patterns ---- */

stmt_seq *parse_statements(Parser *p, int until);
stmt_ty parse_match(Parser *p, bool *tried);
mod_ty parse_module(Parser *p);
stmt_seq *parse_block(Parser *p);

#endif
