/* Regular expressions: the code that re/_compiler.py emits, the state of a match, the objects.
 *
 * The engine (engine.h, included once a character width) is a backtracking machine without recursion. One stack holds both
 * the choices that are still open and the trail: the old values of whatever was changed since (group marks, loop counters).
 * Failing means popping: old values go back until a choice is found. */
#ifndef TAIPAN_MODULES_SRE_PRIVATE_H
#define TAIPAN_MODULES_SRE_PRIVATE_H

#include "capi/args.h"

typedef uint32_t Code;

enum { SRE_MAGIC = 20230612, SRE_MAXGROUPS = INT32_MAX / 2 };
#define SRE_MAXREPEAT UINT32_MAX

enum {
    OP_FAILURE, OP_SUCCESS, OP_ANY, OP_ANY_ALL, OP_ASSERT, OP_ASSERT_NOT, OP_AT, OP_BRANCH, OP_CATEGORY, OP_CHARSET, OP_BIGCHARSET,
    OP_GROUPREF, OP_GROUPREF_EXISTS, OP_IN, OP_INFO, OP_JUMP, OP_LITERAL, OP_MARK, OP_MAX_UNTIL, OP_MIN_UNTIL, OP_NOT_LITERAL, OP_NEGATE,
    OP_RANGE, OP_REPEAT, OP_REPEAT_ONE, OP_SUBPATTERN, OP_MIN_REPEAT_ONE, OP_ATOMIC_GROUP, OP_POSSESSIVE_REPEAT, OP_POSSESSIVE_REPEAT_ONE,
    OP_GROUPREF_IGNORE, OP_IN_IGNORE, OP_LITERAL_IGNORE, OP_NOT_LITERAL_IGNORE,
    OP_GROUPREF_LOC_IGNORE, OP_IN_LOC_IGNORE, OP_LITERAL_LOC_IGNORE, OP_NOT_LITERAL_LOC_IGNORE,
    OP_GROUPREF_UNI_IGNORE, OP_IN_UNI_IGNORE, OP_LITERAL_UNI_IGNORE, OP_NOT_LITERAL_UNI_IGNORE, OP_RANGE_UNI_IGNORE,
};

enum {
    AT_BEGINNING, AT_BEGINNING_LINE, AT_BEGINNING_STRING, AT_BOUNDARY, AT_NON_BOUNDARY, AT_END, AT_END_LINE, AT_END_STRING,
    AT_LOC_BOUNDARY, AT_LOC_NON_BOUNDARY, AT_UNI_BOUNDARY, AT_UNI_NON_BOUNDARY, AT_CODES,
};

enum {
    CATEGORY_DIGIT, CATEGORY_NOT_DIGIT, CATEGORY_SPACE, CATEGORY_NOT_SPACE, CATEGORY_WORD, CATEGORY_NOT_WORD, CATEGORY_LINEBREAK,
    CATEGORY_NOT_LINEBREAK, CATEGORY_LOC_WORD, CATEGORY_LOC_NOT_WORD, CATEGORY_UNI_DIGIT, CATEGORY_UNI_NOT_DIGIT, CATEGORY_UNI_SPACE,
    CATEGORY_UNI_NOT_SPACE, CATEGORY_UNI_WORD, CATEGORY_UNI_NOT_WORD, CATEGORY_UNI_LINEBREAK, CATEGORY_UNI_NOT_LINEBREAK, CATEGORIES,
};

enum { INFO_PREFIX = 1, INFO_LITERAL = 2, INFO_CHARSET = 4 };

enum { FLAG_IGNORECASE = 2, FLAG_LOCALE = 4, FLAG_MULTILINE = 8, FLAG_DOTALL = 16, FLAG_UNICODE = 32, FLAG_VERBOSE = 64, FLAG_DEBUG = 128,
       FLAG_ASCII = 256 };

typedef struct Pattern {
    PyObject_VAR_HEAD
    Py_ssize_t groups;
    PyObject *groupindex;                     /* dict: name to number */
    PyObject *indexgroup;                     /* tuple: number to name or None */
    PyObject *pattern;                        /* source, or None */
    PyObject *weakrefs;
    int flags;
    int is_bytes;                             /* -1: pattern is None, anything goes */
    Py_ssize_t size;
    Code code[1];
} Pattern;

typedef struct Match {
    PyObject_VAR_HEAD
    PyObject *string, *regs;
    Pattern *pattern;
    Py_ssize_t pos, endpos, lastindex, groups;
    Py_ssize_t mark[1];                       /* start and end of group 0, 1, ...; -1: not matched */
} Match;

/* ---- a match in progress ------------------------------------------------------------------------------------------------ */

typedef struct Loop {                         /* a REPEAT that was entered */
    const Code *code;                         /* its skip argument */
    const void *last;                         /* where the last iteration began */
    uint32_t count, outer;                    /* outer: number of the enclosing loop + 1, 0 for none */
} Loop;

typedef enum EntryKind {
    /* choices */
    CHOICE_BRANCH,                            /* code: the next alternative's skip; at */
    CHOICE_RETRY,                             /* code, at: simply go on there; count: the loop then in force */
    CHOICE_REPEAT_ONE,                        /* code: the repeat's skip; at: after count items */
    CHOICE_MIN_REPEAT_ONE,
    CHOICE_MIN_UNTIL,                         /* count: the loop + 1 */
    CALL,                                     /* a sub-match (assertion, atomic group): the base it must not cut below */
    /* trail */
    OLD_MARK, OLD_LAST, OLD_LOOP, OLD_CURRENT, NEW_LOOP,
} EntryKind;

typedef struct Entry {
    EntryKind kind;
    uint32_t count;
    const Code *code;
    const void *at;
    size_t link;
} Entry;

typedef struct Matcher {
    const void *beginning, *start, *end;      /* of the string, of the match, of what may be looked at */
    const void *pointer;                      /* where the match ended */
    const void *must_advance;                 /* a match that is empty here does not count; NULL */
    bool match_all;
    int char_size;
    bool is_bytes;
    Py_ssize_t lastindex;
    Py_ssize_t mark_count;
    const void **marks;
    Entry *stack;
    size_t stack_size, stack_capacity;
    Loop *loops;
    size_t loop_count, loop_capacity;
    uint32_t current;                         /* loop + 1 */
    size_t call;                              /* index of the innermost CALL entry + 1 */
    unsigned ticks;
    Py_buffer buffer;
    PyObject *string;
    Py_ssize_t pos, endpos;
} Matcher;

enum { MATCH_NO_MEMORY = -1, MATCH_RAISED = -2 };

/* 1: matched, 0: not, or an error. pattern begins with the INFO block. */
int sre_match_1(Matcher *m, const Code *code);
int sre_match_2(Matcher *m, const Code *code);
int sre_match_4(Matcher *m, const Code *code);
int sre_search_1(Matcher *m, const Code *code);
int sre_search_2(Matcher *m, const Code *code);
int sre_search_4(Matcher *m, const Code *code);

bool sre_category(unsigned category, Py_UCS4 c);
bool sre_charset(const Code *set, Py_UCS4 c);
Py_UCS4 sre_lower_locale(Py_UCS4 c);
Py_UCS4 sre_upper_locale(Py_UCS4 c);
static inline Py_UCS4 sre_lower_ascii(Py_UCS4 c) { return c < 128 ? (Py_UCS4)Py_TOLOWER(c) : c; }

/* RuntimeError "invalid SRE code" for code that no compiler emits; 0 or -1. */
int sre_validate(Pattern *pattern);

#endif
