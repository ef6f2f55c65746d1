/* What is wrong with a text that the parser refused: an interpreter of the grammar in diagnose.def, after the manner of a packrat
 * parser (Ford, 2002).
 *
 * CPython parses a wrong text twice, the second time with rules for common mistakes; which message appears, and where, follows
 * from the order in which its grammar explores the text and from how many tokens it has looked at. So that grammar is walked
 * here, from the beginning of the top-level statement that failed. Speed matters little: it is the path of an error.
 *
 * The grammar's text is digested into Alternative and Item on each use (about 30 kB of arena). A successful item yields a
 * Match: where it stands and, for an expression, of which kind it is. */
#include "syntax/parser_private.h"

enum RuleId {
#define RULE(name, flags, text) RULE_##name,
#include "syntax/diagnose.def"
    RULE_COUNT
};

enum { M = 1, Q = 2 };                                     /* flags of rules */

typedef struct RuleText { const char *name, *text; uint8_t flags, length; } RuleText;
static const RuleText rule_texts[] = {
#define RULE(name, flags, text) { #name, text, flags, sizeof #name - 1 },
#include "syntax/diagnose.def"
};

/* ---- the digested grammar ---- */

enum ItemOp {
    ITEM_TOKEN, ITEM_SOFT, ITEM_ANY_SOFT, ITEM_RULE, ITEM_GROUP, ITEM_OPTIONAL, ITEM_STAR, ITEM_PLUS, ITEM_LIST, ITEM_AND, ITEM_NOT,
    ITEM_CUT, ITEM_FORCED
};

typedef struct Item {
    uint8_t op, capture;                                   /* capture: 'a' .. 'd', or 0 */
    uint16_t argument;                                     /* token type, soft keyword or rule */
    struct Item *inner;                                    /* of operators */
    struct Alternative *group;
    const char *spelling;                                  /* ITEM_FORCED: the token, up to its quote */
    uint16_t separator;                                    /* ITEM_LIST */
    struct Item *next;
} Item;

enum Action { ACTION_NONE, ACTION_KIND, ACTION_FOLD, ACTION_ERROR, ACTION_INDENT, ACTION_CALL };

typedef struct Alternative {
    Item *items;
    uint8_t action;
    bool bad;                                              /* mentions a bad_ rule */
    int kind;                                              /* ACTION_KIND: MatchKind; ACTION_CALL: which function */
    char from, to;                                         /* ACTION_ERROR, ACTION_INDENT: captures, or '.', '+' alone */
    const char *text;                                      /* up to the back quote */
    const char *feature;                                   /* what languages before 3.minor lack, up to the back quote; or NULL */
    int minor;
    struct Alternative *next;
} Alternative;

/* ---- matches ---- */

enum { MATCH_NONE = 100, MATCH_LIST, MATCH_IN, MATCH_TOKEN, MATCH_UNPACKING };

/* kind: an expression's (Name_kind ...) or one of the above. first and last are tokens; last < first: nothing was consumed. */
typedef struct Match {
    int kind, first, last;
    int count;
    struct Match **parts;                                  /* what it was made of, tokens left out of expressions */
} Match;

typedef struct Memo {
    struct Memo *next;
    int rule, end;
    Match *match;
} Memo;

typedef struct Diagnosis {
    Parser *p;
    Arena *arena;
    Alternative *rules[RULE_COUNT];
    uint8_t rule_of_hash[1024];                            /* rule + 1; a small open hash of the rules' names */
    Memo **memos;                                          /* one chain a token */
    int memos_room;
    int first_token;
    bool second_pass;                                      /* bad_ rules are on */
    PyObject *pending;                                     /* "expected 'x'": holds unless something else turns up */
    Match none;
} Diagnosis;

/* ---- digesting the grammar ---- */

typedef struct Digester {
    Diagnosis *d;
    const char *s;
    bool failed, bad;
} Digester;

static void skip_blanks(Digester *g) { while (*g->s == ' ') g->s++; }

static void *digest_alloc(Digester *g, size_t size)
{
    void *block = arena_alloc(g->d->arena, size);
    if (!block) g->failed = true;
    return block;
}

static int token_of_spelling(const char *s, int n)
{
    static const struct { const char *text; int type; } words[] = {
        { "False", KW_FALSE }, { "None", KW_NONE }, { "True", KW_TRUE }, { "and", KW_AND }, { "as", KW_AS }, { "assert", KW_ASSERT },
        { "async", KW_ASYNC }, { "await", KW_AWAIT }, { "break", KW_BREAK }, { "class", KW_CLASS }, { "continue", KW_CONTINUE },
        { "def", KW_DEF }, { "del", KW_DEL }, { "elif", KW_ELIF }, { "else", KW_ELSE }, { "except", KW_EXCEPT },
        { "finally", KW_FINALLY }, { "for", KW_FOR }, { "from", KW_FROM }, { "global", KW_GLOBAL }, { "if", KW_IF },
        { "import", KW_IMPORT }, { "in", KW_IN }, { "is", KW_IS }, { "lambda", KW_LAMBDA }, { "nonlocal", KW_NONLOCAL },
        { "not", KW_NOT }, { "or", KW_OR }, { "pass", KW_PASS }, { "raise", KW_RAISE }, { "return", KW_RETURN }, { "try", KW_TRY },
        { "while", KW_WHILE }, { "with", KW_WITH }, { "yield", KW_YIELD },
    };
    for (size_t i = 0; Py_ISALPHA((uint8_t)*s) && i < ARRAY_LENGTH(words); i++)
        if (words[i].text[0] == *s && !strncmp(words[i].text, s, (size_t)n) && !words[i].text[n]) return words[i].type;
    return tokenizer_operator(s, n);
}

static int soft_of_spelling(const char *s)
{
    return *s == 'm' ? SOFT_MATCH : *s == 'c' ? SOFT_CASE : *s == 't' ? SOFT_TYPE : SOFT_UNDERSCORE;
}

/* Upper-case names are token types; -1: not one. */
static int token_of_name(const char *s, int n)
{
    static const struct { const char *text; int type; } names[] = {
        { "ENDMARKER", ENDMARKER }, { "NAME", NAME }, { "NUMBER", NUMBER }, { "STRING", STRING }, { "NEWLINE", NEWLINE },
        { "INDENT", INDENT }, { "DEDENT", DEDENT }, { "TYPE_COMMENT", TYPE_COMMENT }, { "FSTRING_START", FSTRING_START },
        { "FSTRING_MIDDLE", FSTRING_MIDDLE }, { "FSTRING_END", FSTRING_END },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
        if ((int)strlen(names[i].text) == n && !memcmp(names[i].text, s, (size_t)n)) return names[i].type;
    return -1;
}

static unsigned name_hash(const char *s, int n)
{
    unsigned hash = (unsigned)n;
    for (int i = 0; i < n; i++) hash = hash * 31 + (uint8_t)s[i];
    return (hash ^ hash >> 9) & 1023;
}

static void hash_rules(Diagnosis *d)
{
    _Static_assert(RULE_COUNT < 255, "a rule and one fit a byte");
    for (int i = 0; i < RULE_COUNT; i++) {
        unsigned hash = name_hash(rule_texts[i].name, rule_texts[i].length);
        while (d->rule_of_hash[hash]) hash = (hash + 1) & 1023;
        d->rule_of_hash[hash] = (uint8_t)(i + 1);
    }
}

static int rule_of_name(Diagnosis *d, const char *s, int n)
{
    for (unsigned hash = name_hash(s, n); d->rule_of_hash[hash]; hash = (hash + 1) & 1023) {
        int i = d->rule_of_hash[hash] - 1;
        if (rule_texts[i].length == n && !memcmp(rule_texts[i].name, s, (size_t)n)) return i;
    }
    assert(!"unknown rule in diagnose.def");
    return 0;
}

static Alternative *digest_alternatives(Digester *g);

static Item *digest_atom(Digester *g)
{
    Item *item = digest_alloc(g, sizeof *item);
    if (!item) return NULL;
    const char *s = g->s;
    if (*s == '(') {
        g->s++;
        item->op = ITEM_GROUP;
        item->group = digest_alternatives(g);
        if (g->failed) return NULL;
        assert(*g->s == ')');
        g->s++;
    }
    else if (*s == '\'' || *s == '<') {
        const char *end = strchr(s + 1, *s == '<' ? '>' : '\'');
        item->op = *s == '<' ? ITEM_SOFT : ITEM_TOKEN;
        item->argument = (uint16_t)(*s == '<' ? soft_of_spelling(s + 1) : token_of_spelling(s + 1, (int)(end - s - 1)));
        item->spelling = s + 1;
        g->s = end + 1;
    }
    else {
        while (Py_ISALNUM((uint8_t)*g->s) || *g->s == '_') g->s++;
        int n = (int)(g->s - s), type = Py_ISUPPER((uint8_t)*s) ? token_of_name(s, n) : -1;
        assert(n > 0);
        if (type >= 0) item->op = ITEM_TOKEN, item->argument = (uint16_t)type;
        else if (n == 12 && !memcmp(s, "SOFT_KEYWORD", 12)) item->op = ITEM_ANY_SOFT;
        else {
            item->op = ITEM_RULE;
            item->argument = (uint16_t)rule_of_name(g->d, s, n);
            if (!strncmp(s, "bad_", 4)) g->bad = true;
        }
    }
    return item;
}

static Item *digest_wrap(Digester *g, int op, Item *inner)
{
    Item *item = digest_alloc(g, sizeof *item);
    if (!item) return NULL;
    item->op = (uint8_t)op;
    item->inner = inner;
    return item;
}

static Item *digest_item(Digester *g)
{
    char capture = 0, prefix = 0;
    if (g->s[0] >= 'a' && g->s[0] <= 'd' && g->s[1] == '=') {
        capture = *g->s;
        g->s += 2;
    }
    if (*g->s == '~') {
        g->s++;
        return digest_wrap(g, ITEM_CUT, NULL);
    }
    if (*g->s == '&' || *g->s == '!' || *g->s == '^') prefix = *g->s++;
    Item *item = digest_atom(g);
    if (!item) return NULL;
    switch (*g->s) {
    case '?': g->s++; item = digest_wrap(g, ITEM_OPTIONAL, item); break;
    case '*': g->s++; item = digest_wrap(g, ITEM_STAR, item); break;
    case '+': g->s++; item = digest_wrap(g, ITEM_PLUS, item); break;
    case '%': {
        const char *end = strchr(g->s + 2, '\'');
        item = digest_wrap(g, ITEM_LIST, item);
        if (item) item->separator = (uint16_t)tokenizer_operator(g->s + 2, (int)(end - g->s - 2));
        g->s = end + 1;
    }
    }
    if (prefix == '&') item = digest_wrap(g, ITEM_AND, item);
    else if (prefix == '!') item = digest_wrap(g, ITEM_NOT, item);
    else if (prefix == '^' && item) item->op = ITEM_FORCED;
    if (item) item->capture = (uint8_t)capture;
    return item;
}

typedef bool DiagnosisFunction(Diagnosis *d, Match **captures, Match **result, const int *span);
typedef struct FunctionEntry { const char *name; DiagnosisFunction *function; } FunctionEntry;
static const FunctionEntry functions[21];
static int function_of_name(const char *s, int n);
static int kind_of_name(const char *s, int n);

/* {N`feature`}, then =Kind, @...`text`, #a`text` or :function, if there is one. */
static void digest_action(Digester *g, Alternative *alternative)
{
    if (*g->s == '{') {
        char *quote;
        alternative->minor = (int)strtol(g->s + 1, &quote, 10);
        alternative->feature = quote + 1;
        g->s = strchr(quote + 1, '`') + 2;
        skip_blanks(g);
    }
    const char *s = g->s;
    switch (*s) {
    case '=': case ':':
        s++;
        if (*s == '^') {
            alternative->action = ACTION_FOLD;
            g->s = s + 1;
            return;
        }
        for (g->s = s; Py_ISALNUM((uint8_t)*g->s) || *g->s == '_'; g->s++) {}
        alternative->action = s[-1] == '=' ? ACTION_KIND : ACTION_CALL;
        alternative->kind = s[-1] == '=' ? kind_of_name(s, (int)(g->s - s)) : function_of_name(s, (int)(g->s - s));
        return;
    case '@': case '#':
        alternative->action = *s++ == '@' ? ACTION_ERROR : ACTION_INDENT;
        alternative->from = alternative->to = *s++;
        if (*s == '-') alternative->to = s[1], s += 2;
        else if (*s == '>') alternative->to = '>', s++;
        assert(*s == '`');
        alternative->text = s + 1;
        g->s = strchr(s + 1, '`') + 1;
    }
}

static Alternative *digest_alternatives(Digester *g)
{
    Alternative *first = NULL, **link = &first;
    bool outer_bad = g->bad;
    for (;;) {
        Alternative *alternative = digest_alloc(g, sizeof *alternative);
        if (!alternative) return NULL;
        *link = alternative;
        link = &alternative->next;
        Item **item_link = &alternative->items;
        g->bad = false;
        for (skip_blanks(g); *g->s && !strchr("|)=@#:{", *g->s); skip_blanks(g)) {
            Item *item = digest_item(g);
            if (!item) {
                g->failed = true;
                return NULL;
            }
            *item_link = item;
            item_link = &item->next;
        }
        digest_action(g, alternative);
        alternative->bad = g->bad && !alternative->items->next;
        skip_blanks(g);
        if (*g->s != '|') break;
        g->s++;
    }
    g->bad = outer_bad;                                    /* a group's own alternatives are left out by themselves */
    return first;
}

static bool digest_grammar(Diagnosis *d)
{
    Digester g = { .d = d };
    hash_rules(d);
    for (int i = 0; i < RULE_COUNT && !g.failed; i++) {
        g.s = rule_texts[i].text;
        d->rules[i] = digest_alternatives(&g);
        assert(g.failed || !*g.s);
    }
    return !g.failed;
}

/* ---- tokens ---- */

static int token_type(Diagnosis *d)
{
    Parser *p = d->p;
    int type = at(p);
    if (p->mark >= p->shown_fill && p->mark < p->fill) p->shown_fill = p->mark + 1;
    return type;
}

static const Token *token(Diagnosis *d, int i) { return &d->p->tokens[i]; }

static Span match_span(Diagnosis *d, const Match *m)
{
    const Token *first = token(d, m->first), *last = token(d, m->last < m->first ? m->first : m->last);
    return (Span){ first->lineno, first->col, last->end_lineno, last->end_col };
}

/* ---- walking ---- */

static Match *walk_rule(Diagnosis *d, int rule);
static Match *walk_alternatives(Diagnosis *d, Alternative *alternative);

static Match *new_match(Diagnosis *d, int kind, int first, int count)
{
    Match *m = arena_alloc(d->arena, sizeof *m);
    if (m && count) {
        m->parts = arena_alloc(d->arena, (size_t)count * sizeof(Match *));
        if (!m->parts) m = NULL;
    }
    if (!m) {
        d->p->failed = true;
        return NULL;
    }
    m->kind = kind;
    m->first = first;
    m->count = count;
    int last = d->p->mark - 1;
    while (last > first) {
        int type = token(d, last)->type;
        if (type != ENDMARKER && !(type >= NEWLINE && type <= DEDENT)) break;
        last--;
    }
    m->last = d->p->mark == first ? first - 1 : last;
    return m;
}

static Match *accept_token(Diagnosis *d)
{
    int first = d->p->mark++;
    return new_match(d, MATCH_TOKEN, first, 0);
}

static Match *walk_item(Diagnosis *d, Item *item);

/* item*, item+ and item%','. */
static Match *walk_repeated(Diagnosis *d, Item *item)
{
    Parser *p = d->p;
    int start = p->mark, end = start;
    Py_ssize_t base = p->scratch_top;
    for (;;) {
        if (item->op == ITEM_LIST && p->scratch_top != base) {
            if (token_type(d) != item->separator) break;
            p->mark++;
        }
        Match *m = walk_item(d, item->inner);
        if (p->failed) return NULL;
        if (!m) break;
        if (!push(p, m)) return NULL;
        if (p->mark == end) break;                         /* nothing consumed: would not end */
        end = p->mark;
    }
    p->mark = end;
    int count = (int)(p->scratch_top - base);
    p->scratch_top = base;
    if (p->failed || (!count && item->op != ITEM_STAR)) return NULL;
    Match *list = new_match(d, MATCH_LIST, start, count);
    if (list && count) memcpy(list->parts, p->scratch + base, (size_t)count * sizeof(Match *));
    return list;
}

/* A name that a soft keyword begins with is taken for one (CPython compares as far as the name goes). */
static bool begins_soft_keyword(Diagnosis *d, const Token *t)
{
    static const char *const words[] = { "_", "case", "match", "type" };
    for (size_t i = 0; i < ARRAY_LENGTH(words); i++)
        if (!strncmp(words[i], d->p->tok.text + t->start, (size_t)(t->end - t->start))) return true;
    return false;
}

/* The token that had to come did not. The exception waits: exploring goes on, and another may take its place. */
static void raise_forced(Diagnosis *d, const Item *item)
{
    Parser *p = d->p;
    parser_raise_token(p, token(d, p->mark), "expected '%.*s'", (int)(strchr(item->spelling, '\'') - item->spelling), item->spelling);
    if (!PyErr_ExceptionMatches(PyExc_SyntaxError)) return;
    Py_XSETREF(d->pending, PyErr_GetRaisedException());
    p->failed = false;
}

static Match *walk_item(Diagnosis *d, Item *item)
{
    Parser *p = d->p;
    int start = p->mark;
    Match *m;
    switch (item->op) {
    case ITEM_TOKEN: return token_type(d) == item->argument ? accept_token(d) : NULL;
    case ITEM_SOFT: return token_type(d) == NAME && token(d, p->mark)->soft == item->argument ? accept_token(d) : NULL;
    case ITEM_ANY_SOFT: return token_type(d) == NAME && begins_soft_keyword(d, token(d, p->mark)) ? accept_token(d) : NULL;
    case ITEM_RULE: return walk_rule(d, item->argument);
    case ITEM_GROUP: return walk_alternatives(d, item->group);
    case ITEM_OPTIONAL:
        m = walk_item(d, item->inner);
        return m || p->failed ? m : &d->none;
    case ITEM_STAR: case ITEM_PLUS: case ITEM_LIST: return walk_repeated(d, item);
    case ITEM_AND: case ITEM_NOT:
        m = walk_item(d, item->inner);
        p->mark = start;
        return p->failed || (m != NULL) != (item->op == ITEM_AND) ? NULL : &d->none;
    case ITEM_FORCED:
        if (token_type(d) == item->argument) return accept_token(d);
        if (!p->failed) raise_forced(d, item);
        return NULL;
    }
    return &d->none;
}

/* The text of an error: $a, $b what kind of expression, $t the first token of a. */
static void raise_error(Diagnosis *d, Alternative *alternative, Match **captures)
{
    Parser *p = d->p;
    char text[256], *out = text;
    Match *from = alternative->from >= 'a' ? captures[alternative->from - 'a'] : NULL;
    for (const char *s = alternative->text; *s != '`' && out < text + sizeof text - 64; s++) {
        if (*s != '$') {
            *out++ = *s;
            continue;
        }
        s++;
        if (*s == 'a') out += snprintf(out, 64, "%s", diagnose_expression_name(captures[0]->kind, p, captures[0]->first));
        else {
            const Token *t = token(d, captures[0]->first);
            out += snprintf(out, 64, "%.*s", (int)(t->end - t->start), p->tok.text + t->start);
        }
    }
    *out = '\0';
    if (alternative->action == ACTION_INDENT) {
        parser_raise_last(p, PyExc_IndentationError, "expected an indented block after %s on line %d", text,
                          token(d, from->first)->lineno);
        return;
    }
    if (alternative->from == '.') parser_raise_last(p, PyExc_SyntaxError, "%s", text);
    else if (alternative->from == '+') {
        token_type(d);
        if (!p->failed) parser_raise_index(p, PyExc_SyntaxError, p->mark, "%s", text);
    }
    else {
        Span span = match_span(d, from);
        if (alternative->to == '>')
            parser_raise_offsets(p, PyExc_SyntaxError, span.lineno, span.col_offset + 1, p->tok.lineno,
                                 p->tok.cur - p->tok.line_start, "%s", text);
        else {
            Span end = match_span(d, captures[alternative->to - 'a']);
            span.end_lineno = end.end_lineno;
            span.end_col_offset = end.end_col_offset;
            parser_raise_at(p, PyExc_SyntaxError, span, "%s", text);
        }
    }
}

/* The result of an alternative that fitted; NULL when its action says no, or raised. items are the results of its items. */
static Match *finish_alternative(Diagnosis *d, Alternative *alternative, int start, Match **captures, Match **items, int count)
{
    Parser *p = d->p;
    Match *only = NULL, *result = NULL;
    int solid = 0;
    if (p->feature_version < alternative->minor) {
        const char *feature = alternative->feature;
        if (d->pending) {                                  /* the older error stays */
            PyErr_SetRaisedException(d->pending);
            d->pending = NULL;
            p->failed = true;
            return NULL;
        }
        parser_raise_last(p, PyExc_SyntaxError, "%.*s only supported in Python 3.%i and greater",
                          (int)(strchr(feature, '`') - feature), feature, alternative->minor);
        return NULL;
    }
    for (int i = 0; i < count; i++) if (items[i] != &d->none) only = items[i], solid++;
    switch (alternative->action) {
    case ACTION_ERROR: case ACTION_INDENT:
        raise_error(d, alternative, captures);
        return NULL;
    case ACTION_CALL: {
        int span[2] = { start, p->mark };
        if (!functions[alternative->kind].function(d, captures, &result, span)) {
            if (d->pending && !p->failed) {                /* an action that says no ends everything when an error is pending */
                PyErr_SetRaisedException(d->pending);
                d->pending = NULL;
                p->failed = true;
            }
            return NULL;
        }
        if (result) return result;
        break;
    }
    case ACTION_FOLD: {                                    /* first (rest)*: the kind of the last of the rest */
        Match *rest = items[count - 1];
        if (rest == &d->none || !rest->count) return items[0];
        if (!(result = new_match(d, rest->parts[rest->count - 1]->kind, start, 1))) return NULL;
        result->parts[0] = items[0];
        return result;
    }
    }
    if (alternative->action != ACTION_KIND) {
        if (captures[0]) return captures[0];
        if (solid == 1) return only;
    }
    if (!(result = new_match(d, alternative->action == ACTION_KIND ? alternative->kind : MATCH_LIST, start, solid))) return NULL;
    result->count = 0;
    for (int i = 0; i < count; i++)
        if (items[i] != &d->none && (alternative->action != ACTION_KIND || items[i]->kind != MATCH_TOKEN))
            result->parts[result->count++] = items[i];
    return result;
}

static Match *walk_alternative(Diagnosis *d, Alternative *alternative, bool *cut)
{
    Parser *p = d->p;
    Match *captures[4] = { NULL }, *items[24];
    int start = p->mark, count = 0;
    for (Item *item = alternative->items; item; item = item->next) {
        if (item->op == ITEM_CUT) {
            *cut = true;
            continue;
        }
        Match *m = walk_item(d, item);
        if (!m || p->failed) return NULL;
        if (item->capture) captures[item->capture - 'a'] = m;
        if (item->op != ITEM_AND && item->op != ITEM_NOT && count < (int)ARRAY_LENGTH(items)) items[count++] = m;
    }
    return finish_alternative(d, alternative, start, captures, items, count);
}

static Match *walk_alternatives(Diagnosis *d, Alternative *alternative)
{
    Parser *p = d->p;
    int start = p->mark;
    bool cut = false;
    for (; alternative && !cut; alternative = alternative->next) {
        if (alternative->bad && !d->second_pass) continue;
        p->mark = start;
        Match *m = walk_alternative(d, alternative, &cut);
        if (p->failed) return NULL;
        if (m) return m;
    }
    p->mark = start;
    return NULL;
}

static Memo **memo_chain(Diagnosis *d, int mark)
{
    int at = mark - d->first_token;
    if (at >= d->memos_room) {
        int room = d->memos_room ? d->memos_room * 2 : 64;
        while (room <= at) room *= 2;
        Memo **memos = PyMem_Realloc(d->memos, (size_t)room * sizeof *memos);
        if (!memos) {
            PyErr_NoMemory();
            d->p->failed = true;
            return NULL;
        }
        memset(memos + d->memos_room, 0, (size_t)(room - d->memos_room) * sizeof *memos);
        d->memos = memos;
        d->memos_room = room;
    }
    return &d->memos[at];
}

static Match *walk_rule(Diagnosis *d, int rule)
{
    Parser *p = d->p;
    int start = p->mark, flags = rule_texts[rule].flags;
    if (flags & M) {
        Memo **chain = memo_chain(d, start);
        for (Memo *memo = chain ? *chain : NULL; memo; memo = memo->next)
            if (memo->rule == rule) {
                p->mark = memo->end;
                return memo->match;
            }
    }
    if (p->failed || !enter(p, 1)) return NULL;
    bool bad = d->second_pass;
    if (flags & Q) p->escapes_silent = d->second_pass = false;
    Match *m = walk_alternatives(d, d->rules[rule]);
    p->escapes_silent = d->second_pass = bad;
    leave(p, 1);
    if (p->failed) return NULL;
    if (flags & M) {
        Memo **chain = memo_chain(d, start), *memo = chain ? arena_alloc(d->arena, sizeof *memo) : NULL;
        if (!memo) {
            p->failed = true;
            return NULL;
        }
        *memo = (Memo){ *chain, rule, p->mark, m };
        *chain = memo;
    }
    return m;
}

/* ---- kinds ---- */

static int kind_of_name(const char *s, int n)
{
    static const struct { const char *text; int kind; } kinds[] = {
#define CASE(type, name) { #name, CASE_OF_##type(name) },
#define CASE_OF_expr(name) name##_kind
#define CASE_OF_mod(name) 0
#define CASE_OF_stmt(name) 0
#define CASE_OF_excepthandler(name) 0
#define CASE_OF_pattern(name) 0
#define CASE_OF_type_ignore(name) 0
#define CASE_OF_type_param(name) 0
#include "syntax/tree.def"
        { "In", MATCH_IN },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++)
        if (kinds[i].kind && kinds[i].text[0] == *s && !strncmp(kinds[i].text, s, (size_t)n) && !kinds[i].text[n]) return kinds[i].kind;
    assert(!"unknown kind in diagnose.def");
    return MATCH_LIST;
}

const char *diagnose_expression_name(int kind, Parser *p, int first)
{
    switch (kind) {
    case Attribute_kind: return "attribute";
    case Subscript_kind: return "subscript";
    case Starred_kind: return "starred";
    case Name_kind: return "name";
    case List_kind: return "list";
    case Tuple_kind: return "tuple";
    case Lambda_kind: return "lambda";
    case Call_kind: return "function call";
    case BoolOp_kind: case BinOp_kind: case UnaryOp_kind: return "expression";
    case GeneratorExp_kind: return "generator expression";
    case Yield_kind: case YieldFrom_kind: return "yield expression";
    case Await_kind: return "await expression";
    case ListComp_kind: return "list comprehension";
    case SetComp_kind: return "set comprehension";
    case DictComp_kind: return "dict comprehension";
    case Dict_kind: return "dict literal";
    case Set_kind: return "set display";
    case JoinedStr_kind: case FormattedValue_kind: return "f-string expression";
    case Constant_kind:
        switch (p->tokens[first].type) {
        case KW_NONE: return "None";
        case KW_TRUE: return "True";
        case KW_FALSE: return "False";
        case ELLIPSIS: return "ellipsis";
        default: return "literal";
        }
    case Compare_kind: return "comparison";
    case IfExp_kind: return "conditional expression";
    case NamedExpr_kind: return "named expression";
    default: return "expression";
    }
}

/* ---- targets ---- */

enum { TARGET_STAR, TARGET_FOR, TARGET_DEL };

static const Match *invalid_target(const Match *m, int sort)
{
    switch (m->kind) {
    case Name_kind: case Attribute_kind: case Subscript_kind: return NULL;
    case List_kind: case Tuple_kind: case MATCH_LIST:
        for (int i = 0; i < m->count; i++) {
            if (m->parts[i]->kind == MATCH_TOKEN) continue;
            const Match *bad = invalid_target(m->parts[i], sort);
            if (bad) return bad;
        }
        return NULL;
    case Starred_kind: return sort == TARGET_DEL ? m : invalid_target(m->parts[0], sort);
    case Compare_kind:
        if (sort != TARGET_FOR) return m;
        if (m->count > 1 && m->parts[1]->count && m->parts[1]->parts[0]->kind == MATCH_IN) return invalid_target(m->parts[0], sort);
        return NULL;
    default: return m;
    }
}

static bool raise_invalid_target(Diagnosis *d, const Match *m, int sort)
{
    const Match *bad = invalid_target(m, sort);
    if (!bad) return false;
    parser_raise_at(d->p, PyExc_SyntaxError, match_span(d, bad), sort == TARGET_DEL ? "cannot delete %s" : "cannot assign to %s",
                    diagnose_expression_name(bad->kind, d->p, bad->first));
    return false;
}

static bool do_star_target(Diagnosis *d, Match **c, Match **result, const int *span)
{
    return raise_invalid_target(d, c[0], TARGET_STAR);
}
static bool do_for_target(Diagnosis *d, Match **c, Match **result, const int *span)
{
    return raise_invalid_target(d, c[0], TARGET_FOR);
}
static bool do_del_target(Diagnosis *d, Match **c, Match **result, const int *span)
{
    return raise_invalid_target(d, c[0], TARGET_DEL);
}

/* ---- calls ---- */

static bool raise_between(Diagnosis *d, const Match *a, const Match *b, const char *text)
{
    Span span = match_span(d, a), end = match_span(d, b);
    span.end_lineno = end.end_lineno;
    span.end_col_offset = end.end_col_offset;
    parser_raise_at(d->p, PyExc_SyntaxError, span, "%s", text);
    return false;
}

/* The end of the last `for` clause: its last condition, or what it iterates over. The clause's parts are
 * ['async'] 'for' targets 'in' iter conditions. */
static const Match *end_of_clauses(const Match *clauses)
{
    const Match *clause = clauses->parts[clauses->count - 1], *ifs = clause->parts[clause->count - 1];
    if (ifs->kind == MATCH_LIST && ifs->count) {
        const Match *condition = ifs->parts[ifs->count - 1];
        return condition->parts[condition->count - 1];
    }
    return clause->parts[clause->count - 2];
}

static const Match *target_of_clauses(const Match *clauses)
{
    const Match *clause = clauses->parts[clauses->count - 1];
    for (int i = 0; i < clause->count; i++)
        if (clause->parts[i]->kind != MATCH_TOKEN) return clause->parts[i];
    return clause;
}

static bool do_generator(Diagnosis *d, Match **c, Match **result, const int *span)
{
    return raise_between(d, c[0], end_of_clauses(c[1]), "Generator expression must be parenthesized");
}

static bool do_generator_last(Diagnosis *d, Match **c, Match **result, const int *span)
{
    return raise_between(d, c[0], target_of_clauses(c[1]), "Generator expression must be parenthesized");
}

/* Counts the positional and starred arguments below m, which is a result of the rule args; *last is the last of them. A keyword
 * argument is a list that begins with its name's token. */
static int count_positional(Diagnosis *d, Match *m, Match **last)
{
    if (m->kind < MATCH_NONE) {
        *last = m;
        return 1;
    }
    if (m->kind != MATCH_LIST || (m->count > 1 && m->parts[0]->kind == MATCH_TOKEN && token(d, m->parts[0]->first)->type == NAME))
        return 0;
    int count = 0;
    for (int i = 0; i < m->count; i++) count += count_positional(d, m->parts[i], last);
    return count;
}

static bool do_generator_in_call(Diagnosis *d, Match **c, Match **result, const int *span)
{
    Match *last = NULL;
    if (count_positional(d, c[0], &last) <= 1) return false;
    return raise_between(d, last, end_of_clauses(c[1]), "Generator expression must be parenthesized");
}

static bool has_unpacking(const Match *m)
{
    if (m->kind == MATCH_UNPACKING) return true;
    if (m->kind == MATCH_LIST)
        for (int i = 0; i < m->count; i++) if (has_unpacking(m->parts[i])) return true;
    return false;
}

static bool do_positional(Diagnosis *d, Match **c, Match **result, const int *span)
{
    parser_raise_last(d->p, PyExc_SyntaxError, has_unpacking(c[0]) ? "positional argument follows keyword argument unpacking"
                                                                  : "positional argument follows keyword argument");
    return false;
}

static bool do_unpacking(Diagnosis *d, Match **c, Match **result, const int *span)
{
    *result = new_match(d, MATCH_UNPACKING, span[0], 0);
    return *result != NULL;
}

/* ---- the rest ---- */

static bool is_legacy_statement(Diagnosis *d, const Match *m)
{
    if (m->kind != Name_kind && m->kind != MATCH_TOKEN) return false;
    const Token *t = token(d, m->first);
    const char *s = d->p->tok.text + t->start;
    Py_ssize_t n = t->end - t->start;
    return t->type == NAME && ((n == 5 && !memcmp(s, "print", 5)) || (n == 4 && !memcmp(s, "exec", 4)));
}

static bool do_legacy(Diagnosis *d, Match **c, Match **result, const int *span)
{
    if (!is_legacy_statement(d, c[0])) return false;
    PyObject *name = parser_name(d->p, token(d, c[0]->first));
    if (!name) return false;
    Span where = match_span(d, c[0]), end = match_span(d, c[1]);
    where.end_lineno = end.end_lineno;
    where.end_col_offset = end.end_col_offset;
    parser_raise_at(d->p, PyExc_SyntaxError, where, "Missing parentheses in call to '%U'. Did you mean %U(...)?", name, name);
    return false;
}

static bool do_comma(Diagnosis *d, Match **c, Match **result, const int *span)
{
    if (is_legacy_statement(d, c[0]) || token(d, d->p->mark - 1)->level == 0) return false;
    return raise_between(d, c[0], c[1], "invalid syntax. Perhaps you forgot a comma?");
}

static bool do_no_block(Diagnosis *d, Match **c, Match **result, const int *span)
{
    parser_raise_last(d->p, PyExc_IndentationError, "expected an indented block");
    return false;
}

static bool do_no_colon(Diagnosis *d, Match **c, Match **result, const int *span)
{
    Span where = match_span(d, c[0]);
    parser_raise_offsets(d->p, PyExc_SyntaxError, where.lineno, where.end_col_offset, where.end_lineno, 0,
                         "':' expected after dictionary key");
    return false;
}

static bool raise_from(Diagnosis *d, const Match *m, const char *text)
{
    Span span = match_span(d, m);
    parser_raise_offsets(d->p, PyExc_SyntaxError, span.lineno, span.col_offset + 1, d->p->tok.lineno,
                         d->p->tok.cur - d->p->tok.line_start, "%s", text);
    return false;
}

static bool do_bound_of_tuple(Diagnosis *d, Match **c, Match **result, const int *span)
{
    return raise_from(d, c[0], c[1]->kind == Tuple_kind ? "cannot use constraints with TypeVarTuple"
                                                        : "cannot use bound with TypeVarTuple");
}

static bool do_bound_of_spec(Diagnosis *d, Match **c, Match **result, const int *span)
{
    return raise_from(d, c[0], c[1]->kind == Tuple_kind ? "cannot use constraints with ParamSpec" : "cannot use bound with ParamSpec");
}

/* `<>` is another spelling of the token, allowed in place of `!=` by a flag. */
static bool do_bdfl(Diagnosis *d, Match **c, Match **result, const int *span)
{
    bool old = d->p->tok.text[token(d, span[0])->start] == '<';
    if (old == d->p->barry_as_bdfl) return true;
    if (d->p->barry_as_bdfl) parser_raise_last(d->p, PyExc_SyntaxError, "with Barry as BDFL, use '<>' instead of '!='");
    return false;
}

/* A lone plain string stays a Constant; with an f-string in it, the whole is one. */
static bool do_strings(Diagnosis *d, Match **c, Match **result, const int *span)
{
    int kind = Constant_kind;
    for (int i = span[0]; i < span[1]; i++) if (token(d, i)->type == FSTRING_START) kind = JoinedStr_kind;
    bool bytes = false, text = false;
    for (int i = span[0], depth = 0; i < span[1]; i++) {
        int type = token(d, i)->type;
        depth += (type == FSTRING_START) - (type == FSTRING_END);
        if (type != STRING || depth) continue;
        const char *s = d->p->tok.text + token(d, i)->start;
        bool is_bytes = false;
        while (*s != '"' && *s != '\'') is_bytes |= (*s++ | 0x20) == 'b';
        bytes |= is_bytes;
        text |= !is_bytes;
    }
    if (bytes && (text || kind == JoinedStr_kind)) {
        parser_raise_last(d->p, PyExc_SyntaxError, "cannot mix bytes and nonbytes literals");
        return false;
    }
    *result = new_match(d, kind, span[0], 0);
    return *result != NULL;
}

/* Literals are made, only to see whether they can be. */
static bool do_string(Diagnosis *d, Match **c, Match **result, const int *span)
{
    if (!literal_string(d->p, span[0])) return false;
    *result = new_match(d, Constant_kind, span[0], 0);
    return *result != NULL;
}

static bool do_format_text(Diagnosis *d, Match **c, Match **result, const int *span)
{
    return literal_format_text(d->p, span[0]) != NULL;
}

static bool do_number(Diagnosis *d, Match **c, Match **result, const int *span)
{
    if (!literal_number(d->p, token(d, span[0]))) return false;
    *result = new_match(d, Constant_kind, span[0], 0);
    return *result != NULL;
}

static bool do_adjacent(Diagnosis *d, Match **c, Match **result, const int *span)
{
    const Token *bang = token(d, c[0]->first), *name = token(d, c[1]->first);
    if (bang->lineno == name->lineno && bang->end_col == name->col) return true;
    return raise_between(d, c[0], c[1], "f-string: conversion type must come right after the exclamanation mark");
}

/* c[0]: the '!' in front of the name, if there is one. */
static bool do_conversion(Diagnosis *d, Match **c, Match **result, const int *span)
{
    if (c[0]->kind == MATCH_NONE) return true;
    const Token *name = token(d, c[0]->first + 1);
    const char *s = d->p->tok.text + name->start;
    if (name->end - name->start == 1 && (*s == 's' || *s == 'r' || *s == 'a')) return true;
    PyObject *id = parser_name(d->p, name);
    if (id) parser_raise_token(d->p, name, "f-string: invalid conversion character %R: expected 's', 'r', or 'a'", id);
    return false;
}

static const FunctionEntry functions[21] = {
    { "star_target", do_star_target }, { "for_target", do_for_target }, { "del_target", do_del_target },
    { "generator", do_generator }, { "generator_last", do_generator_last }, { "generator_in_call", do_generator_in_call },
    { "positional", do_positional }, { "unpacking", do_unpacking }, { "legacy", do_legacy }, { "comma", do_comma },
    { "no_block", do_no_block }, { "no_colon", do_no_colon }, { "bound_of_tuple", do_bound_of_tuple },
    { "bound_of_spec", do_bound_of_spec }, { "bdfl", do_bdfl },
    { "strings", do_strings }, { "conversion", do_conversion }, { "adjacent", do_adjacent },
    { "string", do_string }, { "format_text", do_format_text }, { "number", do_number },
};

static int function_of_name(const char *s, int n)
{
    for (int i = 0; i < (int)ARRAY_LENGTH(functions); i++)
        if ((int)strlen(functions[i].name) == n && !memcmp(functions[i].name, s, (size_t)n)) return i;
    assert(!"unknown function in diagnose.def");
    return 0;
}

/* ---- the two passes ---- */

static void walk_start(Diagnosis *d)
{
    Parser *p = d->p;
    int start = p->start == Py_file_input ? RULE_file : p->start == Py_single_input ? RULE_interactive
              : p->start == Py_eval_input ? RULE_eval : RULE_func_type;
    p->mark = d->first_token;
    p->level = LEVEL_BASE / 3;
    p->scratch_top = 0;
    if (d->memos) memset(d->memos, 0, (size_t)d->memos_room * sizeof *d->memos);
    walk_rule(d, start);
}

/* The generic error, unless the tokenizer has found something worse further on. */
static void raise_generic(Parser *p, int last)
{
    const Token *t = &p->tokens[last];
    if (t->type == INDENT) parser_raise_last(p, PyExc_IndentationError, "unexpected indent");
    else if (t->type == DEDENT) parser_raise_last(p, PyExc_IndentationError, "unexpected unindent");
    else {
        parser_raise_token(p, t, "invalid syntax");
        parser_check_rest(p, p->shown_fill - 1);
    }
}

void parser_diagnose(Parser *p, bool (*incomplete)(Parser *))
{
    Diagnosis *d = PyMem_Calloc(1, sizeof *d);
    Arena *arena = d ? arena_new() : NULL;
    if (!arena) {
        PyMem_Free(d);
        if (!PyErr_Occurred()) PyErr_NoMemory();
        p->failed = true;
        return;
    }
    d->p = p;
    d->arena = arena;
    d->none.kind = MATCH_NONE;
    d->first_token = p->start == Py_file_input ? p->statement_mark : 0;
    p->diagnosing = true;
    p->shown_fill = d->first_token;
    if (!digest_grammar(d)) goto done;
    walk_start(d);
    if (incomplete(p)) goto done;
    if (!p->failed) {
        int last = p->shown_fill - 1;
        p->escapes_silent = d->second_pass = true;
        if (p->tok.interactive) {                          /* nobody is asked for more lines to explain an error */
            p->tok.refill = NULL;
            p->tok.stop_at_end = true;
        }
        d->first_token = 0;                                /* statements that are right may be called wrong, too */
        Py_CLEAR(d->pending);                              /* the second pass comes by again */
        walk_start(d);
        if (!p->failed && d->pending) {
            PyErr_SetRaisedException(d->pending);
            d->pending = NULL;
            p->failed = true;
        }
        else if (!p->failed) {
            if (last >= 0) raise_generic(p, last);
            goto done;
        }
    }
    if (PyErr_ExceptionMatches(PyExc_SyntaxError) && p->tok.done == DONE_OK && p->shown_fill > 0)
        parser_check_rest(p, p->shown_fill - 1);
done:
    Py_XDECREF(d->pending);
    PyMem_Free(d->memos);
    PyMem_Free(d);
    arena_free(arena);
}
