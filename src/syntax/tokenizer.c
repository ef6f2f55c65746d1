/* The tokenizer: one character of lookahead over lines, a stack of indentations, a stack of brackets, a stack of f-strings.
 *
 * `inp` is always the end of the line in hand, so a loop over characters never needs to look for the end of the text: next_char
 * crosses to the next line, counts it, and moves line_start. Text only grows (refill), and pointers are moved along when it is
 * reallocated; what lives longer than a token is kept as an offset.
 * Which character an error is reported at is part of the contract: syntax_error() uses `cur`. */
#include "syntax/tokenizer.h"
#include "syntax/syntax.h"

enum { END = -1, TAB = 8, ALT_TAB = 1 };

enum { C_IDENT_START = 1, C_IDENT = 2, C_DIGIT = 4, C_HEX = 8 };
#define IDENT_RANGE(a, b) [a ... b] = C_IDENT_START | C_IDENT
static const uint8_t char_class[256] = {
    IDENT_RANGE('g', 'z'), IDENT_RANGE('G', 'Z'), IDENT_RANGE(128, 255),
    ['a' ... 'f'] = C_IDENT_START | C_IDENT | C_HEX, ['A' ... 'F'] = C_IDENT_START | C_IDENT | C_HEX,
    ['_'] = C_IDENT_START | C_IDENT, ['0' ... '9'] = C_IDENT | C_DIGIT | C_HEX,
};
#define IS(c, class) ((c) >= 0 && (char_class[(uint8_t)(c)] & (class)))

/* ---- life ---- */

int tokenizer_init(Tokenizer *tok, char *text, Py_ssize_t length, PyObject *filename)
{
    memset(tok, 0, offsetof(Tokenizer, indents));
    tok->modes = NULL;
    tok->modes_room = 0;
    tok->indents[0] = tok->alt_indents[0] = 0;
    if (!text) {
        if (!(text = PyMem_Malloc(256))) {
            PyErr_NoMemory();
            return -1;
        }
        text[0] = '\0';
        length = 0;
        tok->room = 256;
    }
    else tok->room = length + 1;
    tok->text = text;
    tok->length = length;
    tok->cur = tok->inp = tok->line_start = tok->token_line = text;
    tok->at_line_start = true;
    tok->filename = filename;
    return 0;
}

void tokenizer_clear(Tokenizer *tok)
{
    PyMem_Free(tok->text);
    PyMem_Free(tok->modes);
    Py_CLEAR(tok->module);
    tok->text = NULL;
    tok->modes = NULL;
}

int tokenizer_feed(Tokenizer *tok, const char *line, Py_ssize_t length)
{
    if (length >= tok->room - tok->length) {
        if (length > PY_SSIZE_T_MAX / 4 - tok->length) goto no_memory;
        Py_ssize_t room = (tok->length + length + 1) * 2;
        char *old = tok->text, *text = PyMem_Malloc((size_t)room);
        if (!text) goto no_memory;
        memcpy(text, old, (size_t)tok->length + 1);
        tok->text = text;
        tok->room = room;
        tok->cur = text + (tok->cur - old);
        tok->inp = text + (tok->inp - old);
        tok->line_start = text + (tok->line_start - old);
        tok->token_line = text + (tok->token_line - old);
        if (tok->multi_line_start) tok->multi_line_start = text + (tok->multi_line_start - old);
        if (tok->start) tok->start = text + (tok->start - old);
        PyMem_Free(old);
    }
    memcpy(tok->text + tok->length, line, (size_t)length);
    tok->length += length;
    tok->text[tok->length] = '\0';
    return 0;
no_memory:
    PyErr_NoMemory();
    return -1;
}

/* ---- errors ---- */

/* SyntaxError with the line in hand; col counts characters from 1, -1 means up to `cur`. Always ERRORTOKEN. */
static COLD int syntax_error_range(Tokenizer *tok, int col, int end_col, const char *format, va_list args)
{
    PyObject *message = NULL, *text = NULL, *value = NULL;
    if (tok->done == DONE_ERROR && PyErr_Occurred()) return ERRORTOKEN;
    tok->done = DONE_ERROR;
    if (!(message = PyUnicode_FromFormatV(format, args))) goto done;
    if (!(text = PyUnicode_DecodeUTF8(tok->line_start, tok->cur - tok->line_start, "replace"))) goto done;
    if (col == -1) col = (int)PyUnicode_GET_LENGTH(text);
    if (end_col == -1) end_col = col;
    const char *end = tok->line_start;
    while (*end && *end != '\n') end++;
    if (end != tok->cur) Py_SETREF(text, PyUnicode_DecodeUTF8(tok->line_start, end - tok->line_start, "replace"));
    if (!text) goto done;
    value = Py_BuildValue("(O(OiiOii))", message, tok->filename ? tok->filename : Py_None, tok->lineno, col, text, tok->lineno,
                          end_col);
    if (value) PyErr_SetObject(PyExc_SyntaxError, value);
done:
    Py_XDECREF(message);
    Py_XDECREF(text);
    Py_XDECREF(value);
    return ERRORTOKEN;
}

static COLD int syntax_error(Tokenizer *tok, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int result = syntax_error_range(tok, -1, -1, format, args);
    va_end(args);
    return result;
}

static COLD int syntax_error_between(Tokenizer *tok, int col, int end_col, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int result = syntax_error_range(tok, col, end_col, format, args);
    va_end(args);
    return result;
}

static COLD int fail(Tokenizer *tok, enum TokenizerDone done)
{
    tok->done = done;
    return ERRORTOKEN;
}

/* 0, or -1 with an exception: a warning that became an error is a SyntaxError at this place. */
static COLD int token_warn(Tokenizer *tok, PyObject *category, const char *format, ...)
{
    if (tok->silent) return 0;
    va_list args;
    va_start(args, format);
    PyObject *message = PyUnicode_FromFormatV(format, args);
    va_end(args);
    if (!message) goto error;
    PyObject *filename = tok->filename ? tok->filename : Py_None;
    if (PyErr_WarnExplicitObject(category, message, filename, tok->lineno, tok->module, NULL) < 0) {
        if (PyErr_ExceptionMatches(category)) {
            PyErr_Clear();
            const char *text = PyUnicode_AsUTF8(message);
            if (text) syntax_error(tok, "%s", text);
        }
        goto error;
    }
    Py_DECREF(message);
    return 0;
error:
    Py_XDECREF(message);
    tok->done = DONE_ERROR;
    return -1;
}

/* ---- characters ---- */

static NOINLINE int next_line(Tokenizer *tok)
{
    if (tok->done != DONE_OK) return END;
    const char *limit = tok->text + tok->length;
    if (tok->cur == limit) {
        int status = 0;
        if (tok->refill) {
            status = tok->refill(tok, tok->context);
            limit = tok->text + tok->length;
        }
        if (status <= 0 || tok->cur == limit) {
            bool undecodable = status < 0 && PyErr_ExceptionMatches(PyExc_UnicodeDecodeError);
            tok->done = undecodable ? DONE_DECODE : status < 0 ? DONE_ERROR : DONE_EOF;
            tok->file_ended = tok->from_file && !tok->start;
            tok->cur = tok->inp;
            if (tok->refill && !tok->start && !tok->mode) tok->token_line = tok->inp;
            return END;
        }
    }
    const char *end = tok->refill ? limit : memchr(tok->cur, '\n', (size_t)(limit - tok->cur));     /* what was read at once is a line */
    end = end && !tok->refill ? end + 1 : limit;
    tok->inp = end;
    tok->line_start = tok->cur;
    if (!tok->start && !(tok->refill && tok->mode)) tok->token_line = tok->cur;
    tok->lineno++;
    if (end - tok->cur >= INT_MAX) {
        tok->done = DONE_COLUMN_OVERFLOW;
        return END;
    }
    if (tok->refill && memchr(tok->cur, '\0', (size_t)(end - tok->cur))) {
        syntax_error(tok, "source code cannot contain null bytes");
        tok->cur = tok->inp;
        return END;
    }
    return (uint8_t)*tok->cur++;
}

static ALWAYS_INLINE int next_char(Tokenizer *tok)
{
    if (LIKELY(tok->cur != tok->inp)) return (uint8_t)*tok->cur++;
    return next_line(tok);
}

/* c is what next_char returned last. */
static ALWAYS_INLINE void back_up(Tokenizer *tok, int c)
{
    if (c != END) {
        assert(tok->cur > tok->text);
        tok->cur--;
    }
}

/* A token that ends with the text: to know that it ends, the end of the text must have been noticed. */
static NOINLINE void look_beyond(Tokenizer *tok)
{
    if (tok->cur == tok->text + tok->length) next_line(tok);
}

static ALWAYS_INLINE FStringMode *mode_of(Tokenizer *tok) { return tok->mode ? &tok->modes[tok->mode] : NULL; }

/* ---- finishing a token ---- */

static ALWAYS_INLINE int finish(Tokenizer *tok, Token *token, int type, const char *end)
{
    token->type = (uint8_t)type;
    token->soft = 0;
    token->level = (uint8_t)tok->level;
    token->end_lineno = token->lineno = tok->lineno;
    token->start = tok->start - tok->text;
    token->end = end - tok->text;
    token->col = (int32_t)(tok->start - tok->line_start);
    token->end_col = (int32_t)(tok->cur - tok->line_start);
    token->expr_end = -1;
    return type;
}

/* A token that may have begun on an earlier line. */
static int finish_string(Tokenizer *tok, Token *token, int type, const char *end, const char *first_line_start)
{
    finish(tok, token, type, end);
    token->lineno = tok->first_lineno;
    token->col = (int32_t)(tok->start - first_line_start);
    return type;
}

static int finish_empty(Tokenizer *tok, Token *token, int type)
{
    token->type = (uint8_t)type;
    token->soft = 0;
    token->level = (uint8_t)tok->level;
    token->end_lineno = token->lineno = tok->lineno;
    token->start = token->end = tok->cur - tok->text;
    token->col = token->end_col = -1;
    token->expr_end = -1;
    return type;
}

/* ---- indentation ---- */

/* After a backslash: the newline, and one character of the next line must be there. The character, or END with `done` set. */
static int continuation_line(Tokenizer *tok)
{
    int c = next_char(tok);
    if (c == '\r') c = next_char(tok);
    if (c != '\n') {
        tok->done = DONE_LINE_CONT;
        return END;
    }
    c = next_char(tok);
    if (c == END) {
        if (tok->done != DONE_ERROR) tok->done = DONE_EOF;
        tok->cur = tok->inp;
        return END;
    }
    back_up(tok, c);
    return c;
}

static int tab_error(Tokenizer *tok)
{
    tok->cur = tok->inp;
    return fail(tok, DONE_TABSPACE);
}

static int set_indent(Tokenizer *tok, int col, int alt)
{
    if (col == tok->indents[tok->indent]) return alt == tok->alt_indents[tok->indent] ? 0 : tab_error(tok);
    if (col > tok->indents[tok->indent]) {
        if (tok->indent + 1 >= TOKENIZER_MAX_INDENT) {
            tok->cur = tok->inp;
            return fail(tok, DONE_TOO_DEEP);
        }
        if (alt <= tok->alt_indents[tok->indent]) return tab_error(tok);
        tok->pending_indents++;
        tok->indents[++tok->indent] = col;
        tok->alt_indents[tok->indent] = alt;
        return 0;
    }
    while (tok->indent > 0 && col < tok->indents[tok->indent]) {
        tok->pending_indents--;
        tok->indent--;
    }
    if (col != tok->indents[tok->indent]) {
        tok->cur = tok->inp;
        return fail(tok, DONE_DEDENT);
    }
    return alt == tok->alt_indents[tok->indent] ? 0 : tab_error(tok);
}

/* Measures the line's indentation. A line that is blank or only a comment does not count: *blank. 0 or ERRORTOKEN. */
static int read_indentation(Tokenizer *tok, bool *blank)
{
    int col = 0, alt = 0, continued_col = 0, c;
    tok->at_line_start = false;
    for (;;) {
        c = next_char(tok);
        if (c == ' ') col++, alt++;
        else if (c == '\t') {
            col = (col / TAB + 1) * TAB;
            alt = (alt / ALT_TAB + 1) * ALT_TAB;
        }
        else if (c == '\014') col = alt = 0;
        else if (c == '\\') {                              /* the first backslash decides the indentation */
            continued_col = continued_col ? continued_col : col;
            if (continuation_line(tok) == END) return ERRORTOKEN;
        }
        else break;
    }
    back_up(tok, c);
    if (c == '#' || c == '\n' || c == '\r') {
        if (col == 0 && c == '\n' && tok->interactive) *blank = false;         /* an empty line ends the statement */
        else if (tok->interactive && tok->lineno == 1) {
            *blank = false;
            col = alt = 0;
        }
        else *blank = true;
    }
    if (*blank || tok->level) return 0;
    return set_indent(tok, continued_col ? continued_col : col, continued_col ? continued_col : alt);
}

/* ---- names ---- */

/* The end of the longest prefix of s that is an identifier, or its length. */
static Py_ssize_t identifier_prefix(PyObject *s)
{
    for (Py_ssize_t i = 0, n = PyUnicode_GET_LENGTH(s); i < n; i++) {
        Py_UCS4 pair[2] = { '_', PyUnicode_READ_CHAR(s, i) };
        PyObject *part = PyUnicode_FromKindAndData(PyUnicode_4BYTE_KIND, i ? pair : pair + 1, i ? 2 : 1);
        if (!part) return -1;
        int good = PyUnicode_IsIdentifier(part);
        Py_DECREF(part);
        if (!good) return i;
    }
    return PyUnicode_GET_LENGTH(s);
}

/* Whether a name with bytes beyond ASCII is an identifier; else the error stands at the first bad character. */
static COLD bool verify_identifier(Tokenizer *tok)
{
    PyObject *s = PyUnicode_DecodeUTF8(tok->start, tok->cur - tok->start, NULL);
    if (!s) {
        tok->done = PyErr_ExceptionMatches(PyExc_UnicodeDecodeError) ? DONE_DECODE : DONE_ERROR;
        return false;
    }
    if (PyUnicode_IsIdentifier(s)) {
        Py_DECREF(s);
        return true;
    }
    Py_ssize_t bad = identifier_prefix(s);
    if (bad < 0 || bad == PyUnicode_GET_LENGTH(s)) goto error;
    Py_UCS4 ch = PyUnicode_READ_CHAR(s, bad);
    if (bad + 1 < PyUnicode_GET_LENGTH(s)) {
        Py_SETREF(s, PyUnicode_Substring(s, 0, bad + 1));
        Py_ssize_t size;
        if (!s || !PyUnicode_AsUTF8AndSize(s, &size)) goto error;
        tok->cur = tok->start + size;
    }
    Py_DECREF(s);
    if (Py_UNICODE_ISPRINTABLE(ch)) syntax_error(tok, "invalid character '%c' (U+%04X)", ch, ch);
    else syntax_error(tok, "invalid non-printable character U+%04X", ch);
    return false;
error:
    Py_XDECREF(s);
    tok->done = DONE_ERROR;
    return false;
}

/* ---- numbers ---- */

/* Whether `rest` follows and nothing that would continue a name. Leaves the position alone. */
static bool looking_at(Tokenizer *tok, const char *rest)
{
    const char *p = tok->cur, *here = tok->cur;
    for (; *rest && p != tok->inp && *p == *rest; rest++, p++) {}
    if (p == tok->inp) {
        tok->cur = p;
        look_beyond(tok);
        tok->cur = here;
    }
    return !*rest && (p == tok->inp || !IS((uint8_t)*p, C_IDENT));
}

/* c follows a number. A word that may stand after a number is warned about, any other letter is an error. */
static bool verify_end_of_number(Tokenizer *tok, int c, const char *kind)
{
    bool word = false;
    if (tok->extra_tokens) return true;                    /* whoever lists tokens wants them, not errors */
    switch (c) {
    case 'a': word = looking_at(tok, "nd"); break;
    case 'e': word = looking_at(tok, "lse"); break;
    case 'f': word = looking_at(tok, "or"); break;
    case 'i':
        look_beyond(tok);
        word = tok->cur != tok->inp && (*tok->cur == 'f' || *tok->cur == 'n' || *tok->cur == 's');
        break;
    case 'o': word = looking_at(tok, "r"); break;
    case 'n': word = looking_at(tok, "ot"); break;
    }
    if (word) {
        back_up(tok, c);
        if (token_warn(tok, PyExc_SyntaxWarning, "invalid %s literal", kind) < 0) return false;
        next_char(tok);
    }
    else if (c >= 0 && c < 128 && IS(c, C_IDENT)) {
        back_up(tok, c);
        syntax_error(tok, "invalid %s literal", kind);
        return false;
    }
    return true;
}

/* Digits with single underscores between them; the character behind, or 0 after an error. */
static int decimal_tail(Tokenizer *tok)
{
    for (;;) {
        int c;
        do c = next_char(tok); while (IS(c, C_DIGIT));
        if (c != '_') return c;
        c = next_char(tok);
        if (!IS(c, C_DIGIT)) {
            back_up(tok, c);
            syntax_error(tok, "invalid decimal literal");
            return 0;
        }
    }
}

static bool is_digit_of(int c, int base)
{
    if (base == 16) return IS(c, C_HEX);
    return c >= '0' && c < '0' + base;
}

/* After "0x", "0o" or "0b". The character behind, or 0 after an error. */
static int radix_digits(Tokenizer *tok, int base, const char *kind)
{
    int c = next_char(tok);
    do {
        if (c == '_') c = next_char(tok);
        if (!is_digit_of(c, base)) {
            if (base != 16 && IS(c, C_DIGIT)) syntax_error(tok, "invalid digit '%c' in %s literal", c, kind);
            else {
                back_up(tok, c);
                syntax_error(tok, "invalid %s literal", kind);
            }
            return 0;
        }
        do c = next_char(tok); while (is_digit_of(c, base));
    } while (c == '_');
    if (base != 16 && IS(c, C_DIGIT)) {
        syntax_error(tok, "invalid digit '%c' in %s literal", c, kind);
        return 0;
    }
    return verify_end_of_number(tok, c, kind) ? c : 0;
}

static int finish_number(Tokenizer *tok, Token *token, int c)
{
    back_up(tok, c);
    return finish(tok, token, NUMBER, tok->cur);
}

/* What may follow the digits of a decimal number; c is the character behind them. */
static int number_tail(Tokenizer *tok, Token *token, int c, bool after_point)
{
    if (!after_point && c == '.') {
        c = next_char(tok);
        after_point = true;
    }
    if (after_point && IS(c, C_DIGIT) && !(c = decimal_tail(tok))) return ERRORTOKEN;
    if (c == 'e' || c == 'E') {
        int e = c;
        c = next_char(tok);
        if (c == '+' || c == '-') {
            c = next_char(tok);
            if (!IS(c, C_DIGIT)) {
                back_up(tok, c);
                return syntax_error(tok, "invalid decimal literal");
            }
        }
        else if (!IS(c, C_DIGIT)) {                        /* "1else" */
            back_up(tok, c);
            if (!verify_end_of_number(tok, e, "decimal")) return ERRORTOKEN;
            back_up(tok, e);
            return finish(tok, token, NUMBER, tok->cur);
        }
        if (!(c = decimal_tail(tok))) return ERRORTOKEN;
    }
    if (c == 'j' || c == 'J') {
        c = next_char(tok);
        return verify_end_of_number(tok, c, "imaginary") ? finish_number(tok, token, c) : ERRORTOKEN;
    }
    return verify_end_of_number(tok, c, "decimal") ? finish_number(tok, token, c) : ERRORTOKEN;
}

static int number_after_zero(Tokenizer *tok, Token *token)
{
    int c = next_char(tok);
    if (c == 'x' || c == 'X') return (c = radix_digits(tok, 16, "hexadecimal")) ? finish_number(tok, token, c) : ERRORTOKEN;
    if (c == 'o' || c == 'O') return (c = radix_digits(tok, 8, "octal")) ? finish_number(tok, token, c) : ERRORTOKEN;
    if (c == 'b' || c == 'B') return (c = radix_digits(tok, 2, "binary")) ? finish_number(tok, token, c) : ERRORTOKEN;
    bool nonzero = false;
    for (;;) {                                             /* zeros are fine in "00", "00.5", "00e1", "00j" */
        if (c == '_') {
            c = next_char(tok);
            if (!IS(c, C_DIGIT)) {
                back_up(tok, c);
                return syntax_error(tok, "invalid decimal literal");
            }
        }
        if (c != '0') break;
        c = next_char(tok);
    }
    const char *zeros_end = tok->cur;
    if (IS(c, C_DIGIT)) {
        nonzero = true;
        if (!(c = decimal_tail(tok))) return ERRORTOKEN;
    }
    if (c == '.' || c == 'e' || c == 'E' || c == 'j' || c == 'J') return number_tail(tok, token, c, false);
    if (nonzero && !tok->extra_tokens) {
        back_up(tok, c);
        return syntax_error_between(tok, (int)(tok->start + 1 - tok->line_start), (int)(zeros_end - tok->line_start),
                                    "leading zeros in decimal integer literals are not permitted; "
                                    "use an 0o prefix for octal integers");
    }
    return verify_end_of_number(tok, c, "decimal") ? finish_number(tok, token, c) : ERRORTOKEN;
}

/* ---- strings ---- */

static COLD int unterminated(Tokenizer *tok, int quote, int quote_size, int c, bool escaped_quote)
{
    int detected = tok->lineno;
    tok->cur = tok->start + 1;                             /* the error stands at the opening quote */
    tok->line_start = tok->multi_line_start;
    tok->lineno = tok->first_lineno;
    FStringMode *mode = mode_of(tok);
    if (mode && mode->quote == quote && mode->quote_size == quote_size)       /* the f-string's own quote: a '}' is missing */
        return syntax_error(tok, "f-string: expecting '}'");
    if (quote_size == 3) {
        syntax_error(tok, "unterminated triple-quoted string literal (detected at line %d)", detected);
        if (c != '\n') tok->done = DONE_EOF_IN_STRING;
        return ERRORTOKEN;
    }
    if (escaped_quote)
        syntax_error(tok, "unterminated string literal (detected at line %d); perhaps you escaped the end quote?", detected);
    else
        syntax_error(tok, "unterminated string literal (detected at line %d)", detected);
    if (c != '\n') tok->done = DONE_EOL_IN_STRING;
    return ERRORTOKEN;
}

/* The opening quote has been read. */
static int read_string(Tokenizer *tok, Token *token, int quote)
{
    int quote_size = 1, ending = 0;
    bool escaped_quote = false;
    tok->first_lineno = tok->lineno;
    tok->multi_line_start = tok->line_start;
    int c = next_char(tok);
    if (c == quote) {
        c = next_char(tok);
        if (c == quote) quote_size = 3;
        else ending = 1;
    }
    if (c != quote) back_up(tok, c);
    while (ending != quote_size) {
        c = next_char(tok);
        if (UNLIKELY(c == END) && tok->done == DONE_ERROR) return ERRORTOKEN;
        if (c == END || (quote_size == 1 && c == '\n')) return unterminated(tok, quote, quote_size, c, escaped_quote);
        if (c == quote) ending++;
        else {
            ending = 0;
            if (c == '\\') {
                c = next_char(tok);
                if (c == quote) escaped_quote = true;
                if (c == '\r') c = next_char(tok);
            }
        }
    }
    return finish_string(tok, token, STRING, tok->cur, tok->multi_line_start);
}

/* ---- f-strings ---- */

/* The prefix and the opening quote have been read. */
static int begin_fstring(Tokenizer *tok, Token *token, int quote)
{
    int quote_size = 1;
    tok->first_lineno = tok->lineno;
    tok->multi_line_start = tok->line_start;
    int second = next_char(tok);
    if (second == quote) {
        int third = next_char(tok);
        if (third == quote) quote_size = 3;
        else {
            back_up(tok, third);
            back_up(tok, second);
        }
    }
    else back_up(tok, second);
    if (tok->mode + 1 >= TOKENIZER_MAX_FSTRINGS) return syntax_error(tok, "too many nested f-strings");
    if (tok->mode + 1 >= tok->modes_room) {
        int room = tok->modes_room ? tok->modes_room * 2 : 4;
        FStringMode *modes = PyMem_Realloc(tok->modes, (size_t)room * sizeof *modes);
        if (!modes) {
            PyErr_NoMemory();
            return fail(tok, DONE_ERROR);
        }
        tok->modes = modes;
        tok->modes_room = room;
    }
    FStringMode *mode = &tok->modes[++tok->mode];
    *mode = (FStringMode){ .middle = 1, .quote = (uint8_t)quote, .quote_size = (uint8_t)quote_size, .expr_depth = -1,
                           .start = tok->start - tok->text, .line_start = tok->line_start - tok->text, .lineno = tok->lineno,
                           .expr_start = -1, .expr_end = -1 };
    for (const char *p = tok->start; *p != quote; p++) if (*p == 'r' || *p == 'R') mode->raw = 1;
    return finish_string(tok, token, FSTRING_START, tok->cur, tok->multi_line_start);
}

static COLD int unterminated_fstring(Tokenizer *tok, FStringMode *mode, int c)
{
    int detected = tok->lineno;
    tok->cur = tok->text + mode->start + 1;
    tok->line_start = tok->text + mode->line_start;
    tok->lineno = mode->lineno;
    if (mode->quote_size == 3) {
        syntax_error(tok, "unterminated triple-quoted f-string literal (detected at line %d)", detected);
        if (c != '\n') tok->done = DONE_EOF_IN_STRING;
        return ERRORTOKEN;
    }
    return syntax_error(tok, "unterminated f-string literal (detected at line %d)", detected);
}

static int finish_middle(Tokenizer *tok, Token *token, const char *end, const char *first_line_start)
{
    return finish_string(tok, token, FSTRING_MIDDLE, end, first_line_start);
}

static int enter_expression(Tokenizer *tok, FStringMode *mode)
{
    mode->expr_depth++;
    if (mode->expr_depth >= TOKENIZER_MAX_EXPR_NESTING) return syntax_error(tok, "f-string: expressions nested too deeply");
    mode->middle = 0;
    return 0;
}

static int warn_invalid_escape(Tokenizer *tok, int c)
{
    return token_warn(tok, PyExc_SyntaxWarning, "invalid escape sequence '\\%c'", c);
}

static int read_plain(Tokenizer *tok, Token *token);

/* Literal text of an f-string, or what ends it. */
static int read_fstring(Tokenizer *tok, Token *token)
{
    FStringMode *mode = &tok->modes[tok->mode];
    int ending = 0;
    bool named_escape = false;
    tok->first_lineno = tok->lineno;
    int c = next_char(tok);
    /* The line may only begin with that character: the token's place is known from here on. */
    back_up(tok, c);
    tok->start = tok->cur;
    const char *first_line_start = tok->line_start;
    tok->first_lineno = tok->lineno;
    if (c == '{' && tok->cur + 1 <= tok->inp && tok->cur[1] != '{') {
        if (enter_expression(tok, mode)) return ERRORTOKEN;
        return read_plain(tok, token);
    }
    bool ends = true;
    for (int i = 0; i < mode->quote_size && ends; i++) ends = tok->cur + i < tok->inp && (uint8_t)tok->cur[i] == mode->quote;
    if (ends) {
        tok->cur += mode->quote_size;
        tok->mode--;
        return finish_string(tok, token, FSTRING_END, tok->cur, tok->line_start);
    }
    tok->multi_line_start = tok->line_start;
    Py_ssize_t line_offset = first_line_start - tok->text;                    /* reading on may move the text */
    while (ending != mode->quote_size) {
        c = next_char(tok);
        if (UNLIKELY(c == END) && tok->done == DONE_ERROR) return ERRORTOKEN;
        bool in_spec = mode->in_format_spec && mode->expr_depth >= 0;
        if (c == END || (mode->quote_size == 1 && c == '\n')) {
            if (in_spec && c == '\n')
                return syntax_error(tok, "f-string: newlines are not allowed in format specifiers for single quoted f-strings");
            return unterminated_fstring(tok, mode, c);
        }
        if (c == mode->quote) {
            ending++;
            continue;
        }
        ending = 0;
        if (c == '{') {
            mode->expr_start = tok->cur - tok->text;
            mode->expr_end = -1;
            int peek = next_char(tok);
            if (peek != '{' || in_spec) {
                back_up(tok, peek);
                back_up(tok, c);
                if (enter_expression(tok, mode)) return ERRORTOKEN;
                return finish_middle(tok, token, tok->cur, tok->text + line_offset);
            }
            return finish_middle(tok, token, tok->cur - 1, tok->text + line_offset);
        }
        if (c == '}') {
            if (named_escape) return finish_middle(tok, token, tok->cur, tok->text + line_offset);
            int peek = next_char(tok);
            if (peek == '}' && !in_spec && mode->depth == 0)
                return finish_middle(tok, token, tok->cur - 1, tok->text + line_offset);
            back_up(tok, peek);
            back_up(tok, c);
            mode->middle = 0;
            return finish_middle(tok, token, tok->cur, tok->text + line_offset);
        }
        if (c == '\\') {
            int peek = next_char(tok);
            if (peek == '\r') peek = next_char(tok);
            if (peek == '{' || peek == '}') {              /* the brace keeps its meaning */
                if (!mode->raw && warn_invalid_escape(tok, peek) < 0) return ERRORTOKEN;
                back_up(tok, peek);
                continue;
            }
            if (!mode->raw && peek == 'N') {
                peek = next_char(tok);
                if (peek == '{') named_escape = true;
                else back_up(tok, peek);
            }
        }
    }
    tok->cur -= mode->quote_size;                          /* the quotes are the next token */
    return finish_middle(tok, token, tok->cur, tok->text + line_offset);
}

/* ---- operators ---- */

#define PAIR(a, b) ((a) << 8 | (b))

static int one_char(int c)
{
    switch (c) {
    case '!': return EXCLAMATION;
    case '%': return PERCENT;
    case '&': return AMPER;
    case '(': return LPAR;
    case ')': return RPAR;
    case '*': return STAR;
    case '+': return PLUS;
    case ',': return COMMA;
    case '-': return MINUS;
    case '.': return DOT;
    case '/': return SLASH;
    case ':': return COLON;
    case ';': return SEMI;
    case '<': return LESS;
    case '=': return EQUAL;
    case '>': return GREATER;
    case '@': return AT;
    case '[': return LSQB;
    case ']': return RSQB;
    case '^': return CIRCUMFLEX;
    case '{': return LBRACE;
    case '|': return VBAR;
    case '}': return RBRACE;
    case '~': return TILDE;
    }
    return OP;
}

static int two_chars(int a, int b)
{
    switch (PAIR(a, b)) {
    case PAIR('!', '='): return NOTEQUAL;
    case PAIR('%', '='): return PERCENTEQUAL;
    case PAIR('&', '='): return AMPEREQUAL;
    case PAIR('*', '*'): return DOUBLESTAR;
    case PAIR('*', '='): return STAREQUAL;
    case PAIR('+', '='): return PLUSEQUAL;
    case PAIR('-', '='): return MINEQUAL;
    case PAIR('-', '>'): return RARROW;
    case PAIR('/', '/'): return DOUBLESLASH;
    case PAIR('/', '='): return SLASHEQUAL;
    case PAIR(':', '='): return COLONEQUAL;
    case PAIR('<', '<'): return LEFTSHIFT;
    case PAIR('<', '='): return LESSEQUAL;
    case PAIR('<', '>'): return NOTEQUAL;
    case PAIR('=', '='): return EQEQUAL;
    case PAIR('>', '='): return GREATEREQUAL;
    case PAIR('>', '>'): return RIGHTSHIFT;
    case PAIR('@', '='): return ATEQUAL;
    case PAIR('^', '='): return CIRCUMFLEXEQUAL;
    case PAIR('|', '='): return VBAREQUAL;
    }
    return OP;
}

static int three_chars(int a, int b, int c)
{
    if (c == '=')
        switch (PAIR(a, b)) {
        case PAIR('*', '*'): return DOUBLESTAREQUAL;
        case PAIR('/', '/'): return DOUBLESLASHEQUAL;
        case PAIR('<', '<'): return LEFTSHIFTEQUAL;
        case PAIR('>', '>'): return RIGHTSHIFTEQUAL;
        }
    if (a == '.' && b == '.' && c == '.') return ELLIPSIS;
    return OP;
}

int tokenizer_operator(const char *s, int n)
{
    switch (n) {
    case 1: return one_char((uint8_t)s[0]);
    case 2: return two_chars((uint8_t)s[0], (uint8_t)s[1]);
    case 3: return three_chars((uint8_t)s[0], (uint8_t)s[1], (uint8_t)s[2]);
    }
    return OP;
}

static int open_bracket(Tokenizer *tok, int c)
{
    FStringMode *mode = mode_of(tok);
    if (tok->level >= TOKENIZER_MAX_LEVEL) return syntax_error(tok, "too many nested parentheses");
    tok->brackets[tok->level] = (char)c;
    tok->bracket_lines[tok->level] = tok->lineno;
    tok->bracket_columns[tok->level] = (int)(tok->start - tok->line_start);
    tok->level++;
    if (mode) mode->depth++;
    return 0;
}

static int close_bracket(Tokenizer *tok, int c)
{
    FStringMode *mode = mode_of(tok);
    if (mode && mode->depth == 0 && c == '}') return syntax_error(tok, "f-string: single '}' is not allowed");
    if (!tok->extra_tokens && !tok->level) return syntax_error(tok, "unmatched '%c'", c);
    if (tok->level > 0) {
        int opening = tok->brackets[--tok->level];
        bool match = (opening == '(' && c == ')') || (opening == '[' && c == ']') || (opening == '{' && c == '}');
        if (!tok->extra_tokens && !match) {
            /* The opening one may be the f-string's own brace: then it is this one that has no partner. */
            if (mode && opening == '{' && mode->depth - 1 == mode->expr_depth)
                return syntax_error(tok, "f-string: unmatched '%c'", c);
            if (tok->bracket_lines[tok->level] != tok->lineno)
                return syntax_error(tok, "closing parenthesis '%c' does not match opening parenthesis '%c' on line %d", c, opening,
                                    tok->bracket_lines[tok->level]);
            return syntax_error(tok, "closing parenthesis '%c' does not match opening parenthesis '%c'", c, opening);
        }
    }
    if (mode) {
        mode->depth--;
        if (mode->depth < 0) return syntax_error(tok, "f-string: unmatched '%c'", c);
        if (c == '}' && mode->depth == mode->expr_depth) {
            mode->expr_depth--;
            mode->middle = 1;
            mode->in_format_spec = 0;
            mode->debug = 0;
        }
    }
    return 0;
}

/* ---- comments ---- */

/* The comment from tok->start up to the end of the line has been read, and c behind it. A type comment becomes a token: its
 * type, else 0. */
static int type_comment(Tokenizer *tok, Token *token, int c, bool blank)
{
    const char *p = tok->start, *prefix = "# type: ", *end = tok->cur - (c != END);
    for (; *prefix && p < tok->cur; prefix++) {
        if (*prefix == ' ') while (*p == ' ' || *p == '\t') p++;
        else if (*prefix == *p) p++;
        else break;
    }
    if (*prefix) return 0;
    back_up(tok, c);
    bool ignore = end - p >= 6 && !memcmp(p, "ignore", 6) &&
                  !(end - p > 6 && ((uint8_t)p[6] >= 128 || Py_ISALNUM((uint8_t)p[6])));
    if (ignore) p += 6;
    finish(tok, token, ignore ? TYPE_IGNORE : TYPE_COMMENT, tok->cur);
    token->start = p - tok->text;
    token->col = (int32_t)(p - tok->line_start);
    if (ignore && blank) {                                 /* alone on its line: the newline goes with it */
        next_char(tok);
        tok->at_line_start = true;
        token->end = tok->cur - tok->text;
    }
    return token->type;
}

/* ---- the plain mode ---- */

/* The letters before a quote: whether they are a string's prefix. c is the first; *after the character behind the letters read.
 * Returns 0 (a name), 'f' (an f-string) or 's' (a string). */
static int read_prefix(Tokenizer *tok, int c, int *after)
{
    bool b = false, r = false, u = false, f = false;
    for (;;) {
        int lower = c | 0x20;
        if (lower == 'b' && !(b || u || f)) b = true;
        else if (lower == 'u' && !(b || u || r || f)) u = true;
        else if (lower == 'r' && !(r || u)) r = true;
        else if (lower == 'f' && !(f || b || u)) f = true;
        else {
            *after = c;
            return 0;
        }
        c = next_char(tok);
        if (c == '"' || c == '\'') {
            *after = c;
            return f ? 'f' : 's';
        }
    }
}

static int read_name(Tokenizer *tok, Token *token, int c)
{
    switch (c) {
    case 'b': case 'B': case 'f': case 'F': case 'r': case 'R': case 'u': case 'U': {
        int kind = read_prefix(tok, c, &c);
        if (kind == 'f') return begin_fstring(tok, token, c);
        if (kind == 's') return read_string(tok, token, c);
        if (!IS(c, C_IDENT)) {
            back_up(tok, c);
            return finish(tok, token, NAME, tok->cur);
        }
    }
    }
    const char *p = tok->cur, *end = tok->inp;             /* a name never leaves its line */
    uint8_t high = (uint8_t)c;
    while (p != end && char_class[(uint8_t)*p] & C_IDENT) high |= (uint8_t)*p++;
    tok->cur = p;
    if (UNLIKELY(p == end)) look_beyond(tok);
    if (UNLIKELY(high & 0x80) && !tok->extra_tokens && !verify_identifier(tok)) return ERRORTOKEN;
    return finish(tok, token, NAME, p);
}

/* In a replacement field: '!', ':', '}' and '{' bound the expression's text, for `=`. 1 when ':' starts a format spec. */
static int fstring_punctuation(Tokenizer *tok, FStringMode *mode, int c, Py_ssize_t *expr_start, Py_ssize_t *expr_end)
{
    int cursor = mode->depth - (c != '{');
    if (cursor == 0 || (cursor == 1 && (mode->debug || mode->in_format_spec))) {
        Py_ssize_t here = tok->start - tok->text;
        if (c == '{') {
            mode->expr_start = here + 1;
            mode->expr_end = -1;
        }
        else if (c != ':' || mode->expr_end == -1) mode->expr_end = here;
        if (c != '{' && mode->debug) {
            *expr_start = mode->expr_start;
            *expr_end = mode->expr_end;
        }
    }
    if (c == ':' && cursor == mode->expr_depth) {
        mode->middle = 1;
        mode->in_format_spec = 1;
        return 1;
    }
    return 0;
}

static int read_operator(Tokenizer *tok, Token *token, int c)
{
    FStringMode *mode = mode_of(tok);
    Py_ssize_t expr_start = -1, expr_end = -1;
    if (mode && mode->expr_depth >= 0 && (c == ':' || c == '}' || c == '!' || c == '{')) {
        if (fstring_punctuation(tok, mode, c, &expr_start, &expr_end)) {
            finish(tok, token, COLON, tok->cur);
            token->expr_start = expr_start;
            token->expr_end = expr_end;
            return COLON;
        }
    }
    if (tok->cur != tok->inp) {
        int d = (uint8_t)*tok->cur, type = two_chars(c, d);
        if (type != OP) {
            tok->cur++;
            if (tok->cur != tok->inp) {
                int longer = three_chars(c, d, (uint8_t)*tok->cur);
                if (longer != OP) {
                    tok->cur++;
                    type = longer;
                }
            }
            else look_beyond(tok);
            return finish(tok, token, type, tok->cur);
        }
    }
    else look_beyond(tok);
    switch (c) {
    case '(': case '[': case '{':
        if (open_bracket(tok, c)) return ERRORTOKEN;
        break;
    case ')': case ']': case '}':
        if (close_bracket(tok, c)) return ERRORTOKEN;
        break;
    default:
        if (!Py_UNICODE_ISPRINTABLE((Py_UCS4)c)) return syntax_error(tok, "invalid non-printable character U+%04X", c);
    }
    if (c == '=' && mode && mode->depth - mode->expr_depth == 1 && mode->expr_depth >= 0) mode->debug = 1;
    finish(tok, token, one_char(c), tok->cur);
    token->expr_start = expr_start;
    token->expr_end = expr_end;
    return token->type;
}

/* c is a newline (or the carriage return before it). 0: the newline does not count, go on. */
static int read_newline(Tokenizer *tok, Token *token, bool blank)
{
    tok->at_line_start = true;
    if (blank || tok->level > 0) {
        tok->comment_newline = false;
        return tok->extra_tokens ? finish(tok, token, NL, tok->cur) : 0;
    }
    if (tok->comment_newline && tok->extra_tokens) {
        tok->comment_newline = false;
        return finish(tok, token, NL, tok->cur);
    }
    return finish(tok, token, NEWLINE, tok->cur - 1);
}

static int read_plain(Tokenizer *tok, Token *token)
{
    bool blank = false;
    int c;
next_line:
    tok->start = NULL;
    blank = false;
    if (tok->at_line_start && read_indentation(tok, &blank)) return ERRORTOKEN;
    tok->start = tok->cur;
    if (tok->pending_indents) {
        bool out = tok->pending_indents < 0;
        tok->pending_indents += out ? 1 : -1;
        finish_empty(tok, token, out ? DEDENT : INDENT);
        if (tok->extra_tokens) {
            token->col = token->end_col = (int32_t)(tok->cur - tok->line_start);
            if (!out) {
                token->start = tok->line_start - tok->text;
                token->col = 0;
            }
        }
        return token->type;
    }
again:
    do c = next_char(tok); while (c == ' ' || c == '\t' || c == '\014');
    tok->start = tok->cur - (c != END);

    if (IS(c, C_IDENT_START)) return read_name(tok, token, c);

    if (c == '#') {
        const char *p = tok->cur, *end = tok->inp;
        while (p != end && *p != '\n' && *p != '\r') p++;
        tok->cur = p;
        c = next_char(tok);
        if (tok->type_comments) {
            int type = type_comment(tok, token, c, blank);
            if (type) return type;
        }
        if (tok->extra_tokens) {
            back_up(tok, c);
            tok->comment_newline = blank;
            return finish(tok, token, COMMENT, tok->cur);
        }
    }
    if (c == END) {
        if (tok->stop_at_end && tok->done == DONE_EOF) return finish_empty(tok, token, ENDMARKER);
        if (tok->level || tok->done != DONE_EOF) {
            finish_empty(tok, token, ERRORTOKEN);
            return ERRORTOKEN;
        }
        return finish_empty(tok, token, ENDMARKER);
    }
    if (c == '\n' || c == '\r') {
        if (c == '\r') c = next_char(tok);
        if (c == '\n') {
            int type = read_newline(tok, token, blank);
            if (type) return type;
            goto next_line;
        }
    }
    if (c == '.') {
        c = next_char(tok);
        if (IS(c, C_DIGIT)) return number_tail(tok, token, c, true);
        if (c == '.') look_beyond(tok);
        if (c == '.' && tok->cur != tok->inp && *tok->cur == '.') {
            tok->cur++;
            return finish(tok, token, ELLIPSIS, tok->cur);
        }
        back_up(tok, c);
        return finish(tok, token, DOT, tok->cur);
    }
    if (IS(c, C_DIGIT)) {
        if (c == '0') return number_after_zero(tok, token);
        c = decimal_tail(tok);
        return c ? number_tail(tok, token, c, false) : ERRORTOKEN;
    }
    if (c == '"' || c == '\'') return read_string(tok, token, c);
    if (c == '\\') {
        if (continuation_line(tok) == END) return ERRORTOKEN;
        goto again;
    }
    return read_operator(tok, token, c);
}

int tokenizer_next(Tokenizer *tok, Token *token)
{
    int type = tok->mode && tok->modes[tok->mode].middle ? read_fstring(tok, token) : read_plain(tok, token);
    if (UNLIKELY(type == ERRORTOKEN)) {
        const char *start = tok->start;
        tok->start = tok->cur;
        finish_empty(tok, token, ERRORTOKEN);
        tok->start = start;
        if (tok->done == DONE_OK) tok->done = DONE_ERROR;
    }
    return type;
}
