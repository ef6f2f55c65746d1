/* Text to tokens. The text is UTF-8 with '\n' line ends, whole (from a string) or growing a line at a time.
 *
 * Lines count from 1, columns are bytes from 0. A token's text is text[start .. end); its column span may be wider (a NEWLINE
 * has no text; the FSTRING_MIDDLE before a doubled brace ends behind both braces). Tokens without text (INDENT, DEDENT,
 * ENDMARKER) have column -1. On an error `done` says which, and most errors have set an exception already. */
#ifndef TAIPAN_SYNTAX_TOKENIZER_H
#define TAIPAN_SYNTAX_TOKENIZER_H

#include "taipan.h"

enum TokenType {
    ENDMARKER, NAME, NUMBER, STRING, NEWLINE, INDENT, DEDENT, LPAR, RPAR, LSQB, RSQB, COLON, COMMA, SEMI, PLUS, MINUS, STAR,
    SLASH, VBAR, AMPER, LESS, GREATER, EQUAL, DOT, PERCENT, LBRACE, RBRACE, EQEQUAL, NOTEQUAL, LESSEQUAL, GREATEREQUAL, TILDE,
    CIRCUMFLEX, LEFTSHIFT, RIGHTSHIFT, DOUBLESTAR, PLUSEQUAL, MINEQUAL, STAREQUAL, SLASHEQUAL, PERCENTEQUAL, AMPEREQUAL,
    VBAREQUAL, CIRCUMFLEXEQUAL, LEFTSHIFTEQUAL, RIGHTSHIFTEQUAL, DOUBLESTAREQUAL, DOUBLESLASH, DOUBLESLASHEQUAL, AT, ATEQUAL,
    RARROW, ELLIPSIS, COLONEQUAL, EXCLAMATION, OP, TYPE_IGNORE, TYPE_COMMENT, SOFT_KEYWORD, FSTRING_START, FSTRING_MIDDLE,
    FSTRING_END, COMMENT, NL, ERRORTOKEN,
    /* Words of the language, told from names by the parser; `token` never shows them. */
    KW_FALSE = 70, KW_NONE, KW_TRUE, KW_AND, KW_AS, KW_ASSERT, KW_ASYNC, KW_AWAIT, KW_BREAK, KW_CLASS, KW_CONTINUE, KW_DEF,
    KW_DEL, KW_ELIF, KW_ELSE, KW_EXCEPT, KW_FINALLY, KW_FOR, KW_FROM, KW_GLOBAL, KW_IF, KW_IMPORT, KW_IN, KW_IS, KW_LAMBDA,
    KW_NONLOCAL, KW_NOT, KW_OR, KW_PASS, KW_RAISE, KW_RETURN, KW_TRY, KW_WHILE, KW_WITH, KW_YIELD,
    /* Soft keywords are NAMEs; these numbers are only for the grammar of the diagnosis. */
    SOFT_MATCH, SOFT_CASE, SOFT_TYPE, SOFT_UNDERSCORE
};
_Static_assert(EXCLAMATION == 54 && FSTRING_END == 61 && ERRORTOKEN == 64, "numbers of the token module");

enum TokenizerDone {
    DONE_OK, DONE_EOF, DONE_ERROR, DONE_INTERRUPTED, DONE_DECODE, DONE_DEDENT, DONE_TABSPACE, DONE_TOO_DEEP, DONE_LINE_CONT,
    DONE_EOF_IN_STRING, DONE_EOL_IN_STRING, DONE_COLUMN_OVERFLOW
};

typedef struct Token {
    uint8_t type;
    uint8_t soft;                                          /* SOFT_* for a NAME that may be a soft keyword */
    uint8_t level;                                         /* brackets open behind it */
    int32_t lineno, col, end_lineno, end_col;
    Py_ssize_t start, end;                                 /* offsets into the text */
    Py_ssize_t expr_start, expr_end;                       /* f-strings: the text of a `=` expression; expr_end -1: no `=` */
} Token;

enum { TOKENIZER_MAX_INDENT = 100, TOKENIZER_MAX_LEVEL = 200, TOKENIZER_MAX_FSTRINGS = 150, TOKENIZER_MAX_EXPR_NESTING = 3 };

/* One f-string being read. depth counts every bracket opened inside it, expr_depth the replacement fields open (-1: none). */
typedef struct FStringMode {
    uint8_t middle;                                        /* reading literal text or a format spec */
    uint8_t quote, quote_size, raw, in_format_spec, debug;
    int depth, expr_depth;
    Py_ssize_t start, line_start;
    int lineno;
    Py_ssize_t expr_start, expr_end;                       /* text of the last replacement field; expr_end -1: not yet known */
} FStringMode;

typedef struct Tokenizer Tokenizer;

/* Appends the next line to the text with tokenizer_feed. 1: done; 0: end of input; -1: exception set. */
typedef int (*TokenizerRefill)(Tokenizer *tok, void *context);

struct Tokenizer {
    char *text;                                            /* NUL-terminated; owned */
    Py_ssize_t length, room;
    const char *cur, *inp;                                 /* next character; end of the line being read */
    const char *line_start, *multi_line_start, *start;
    const char *token_line;                                /* start of the line that was read last between two tokens */
    int lineno, first_lineno;
    enum TokenizerDone done;
    int indent, pending_indents;
    int level;
    bool at_line_start, interactive, extra_tokens, type_comments, implicit_newline, comment_newline, silent, stop_at_end;
    bool from_file, file_ended;                            /* the end of a file was met between two tokens: columns there are 0 */
    int mode;                                              /* index into modes; 0 is the plain one */
    TokenizerRefill refill;
    void *context;
    PyObject *filename;                                    /* borrowed; may be NULL */
    PyObject *module;
    int indents[TOKENIZER_MAX_INDENT], alt_indents[TOKENIZER_MAX_INDENT];
    char brackets[TOKENIZER_MAX_LEVEL];
    int bracket_lines[TOKENIZER_MAX_LEVEL], bracket_columns[TOKENIZER_MAX_LEVEL];
    FStringMode *modes;                                    /* [1 .. mode]; grown on demand */
    int modes_room;
};

/* text is STOLEN memory of PyMem, NUL-terminated; NULL starts empty (for a refill). 0, or -1 with MemoryError. */
int tokenizer_init(Tokenizer *tok, char *text, Py_ssize_t length, PyObject *filename);
void tokenizer_clear(Tokenizer *tok);
int tokenizer_feed(Tokenizer *tok, const char *line, Py_ssize_t length);
/* Reads one token; its type. ERRORTOKEN: see tok->done and the exception. */
int tokenizer_next(Tokenizer *tok, Token *token);
/* The single- or multi-character operator that the n characters at s are, or OP. */
int tokenizer_operator(const char *s, int n);

/* Replaces \r\n and \r; adds a final newline if wanted and missing. New memory (PyMem), its length in *length. */
char *source_translate_newlines(const char *source, Py_ssize_t *length, bool final_newline, bool *added);
/* The encoding named on one of the first two lines, canonical; new str, NULL without exception when there is none. whole_lines:
 * a line without its newline does not count. */
PyObject *source_coding_cookie(const char *source, Py_ssize_t length, bool whole_lines);
/* Bytes of a source file or string as UTF-8 memory of PyMem ready for the tokenizer. NULL with an exception. */
char *source_decode(const char *source, Py_ssize_t *length, bool final_newline, PyObject *filename, bool *added_newline);

#endif
