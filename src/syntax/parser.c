/* The parser's common ground: tokens on demand, names, places, raising errors, and the entry points of syntax.h. */
#include "syntax/parser_private.h"
#include <errcode.h>

/* ---- words ---- */

static int word(const char *s, const char *text, int type, Py_ssize_t n)
{
    return !memcmp(s, text, (size_t)n) ? type : NAME;
}

/* The type of a name's token. */
static int keyword_type(const char *s, Py_ssize_t n)
{
    switch (n) {
    case 2:
        switch (s[0]) {
        case 'a': return word(s, "as", KW_AS, n);
        case 'i': return s[1] == 'f' ? KW_IF : s[1] == 'n' ? KW_IN : s[1] == 's' ? KW_IS : NAME;
        case 'o': return word(s, "or", KW_OR, n);
        }
        break;
    case 3:
        switch (s[0]) {
        case 'a': return word(s, "and", KW_AND, n);
        case 'd': return s[1] != 'e' ? NAME : s[2] == 'f' ? KW_DEF : s[2] == 'l' ? KW_DEL : NAME;
        case 'f': return word(s, "for", KW_FOR, n);
        case 'n': return word(s, "not", KW_NOT, n);
        case 't': return word(s, "try", KW_TRY, n);
        }
        break;
    case 4:
        switch (s[0]) {
        case 'e': return s[1] != 'l' ? NAME : s[2] == 'i' ? word(s, "elif", KW_ELIF, n) : word(s, "else", KW_ELSE, n);
        case 'f': return word(s, "from", KW_FROM, n);
        case 'N': return word(s, "None", KW_NONE, n);
        case 'p': return word(s, "pass", KW_PASS, n);
        case 'T': return word(s, "True", KW_TRUE, n);
        case 'w': return word(s, "with", KW_WITH, n);
        }
        break;
    case 5:
        switch (s[0]) {
        case 'a': return s[1] == 's' ? word(s, "async", KW_ASYNC, n) : word(s, "await", KW_AWAIT, n);
        case 'b': return word(s, "break", KW_BREAK, n);
        case 'c': return word(s, "class", KW_CLASS, n);
        case 'F': return word(s, "False", KW_FALSE, n);
        case 'r': return word(s, "raise", KW_RAISE, n);
        case 'w': return word(s, "while", KW_WHILE, n);
        case 'y': return word(s, "yield", KW_YIELD, n);
        }
        break;
    case 6:
        switch (s[0]) {
        case 'a': return word(s, "assert", KW_ASSERT, n);
        case 'e': return word(s, "except", KW_EXCEPT, n);
        case 'g': return word(s, "global", KW_GLOBAL, n);
        case 'i': return word(s, "import", KW_IMPORT, n);
        case 'l': return word(s, "lambda", KW_LAMBDA, n);
        case 'r': return word(s, "return", KW_RETURN, n);
        }
        break;
    case 7: return word(s, "finally", KW_FINALLY, n);
    case 8: return s[0] == 'c' ? word(s, "continue", KW_CONTINUE, n) : word(s, "nonlocal", KW_NONLOCAL, n);
    }
    return NAME;
}

static int soft_keyword(const char *s, Py_ssize_t n)
{
    if (n == 1) return *s == '_' ? SOFT_UNDERSCORE : 0;
    if (n == 4) return !memcmp(s, "case", 4) ? SOFT_CASE : !memcmp(s, "type", 4) ? SOFT_TYPE : 0;
    return n == 5 && !memcmp(s, "match", 5) ? SOFT_MATCH : 0;
}

/* ---- tokens ---- */

static COLD NOINLINE int tokens_grow(Parser *p)
{
    if (p->room > INT_MAX / 4) {
        PyErr_NoMemory();
        return -1;
    }
    int room = p->room ? p->room * 2 : 256;
    Token *tokens = PyMem_Realloc(p->tokens, (size_t)room * sizeof *tokens);
    if (!tokens) {
        PyErr_NoMemory();
        return -1;
    }
    p->tokens = tokens;
    p->room = room;
    return 0;
}

static COLD int note_type_ignore(Parser *p, const Token *t)
{
    TypeIgnoreList *note = arena_alloc(p->arena, sizeof *note);
    if (!note) return -1;
    note->lineno = t->lineno;
    note->tag = parser_own(p, PyUnicode_DecodeUTF8(p->tok.text + t->start, t->end - t->start, NULL));
    if (!note->tag) return -1;
    *p->type_ignores_end = note;
    p->type_ignores_end = &note->next;
    p->type_ignores_count++;
    return 0;
}

int parser_fetch(Parser *p)
{
    if (UNLIKELY(p->failed)) return ERRORTOKEN;
    if (p->fill == p->room && tokens_grow(p) < 0) {
        p->failed = true;
        return ERRORTOKEN;
    }
    Token *t = &p->tokens[p->fill];
    int type = tokenizer_next(&p->tok, t);
    while (UNLIKELY(type == TYPE_IGNORE)) {
        if (note_type_ignore(p, t) < 0) {
            p->failed = true;
            return ERRORTOKEN;
        }
        type = tokenizer_next(&p->tok, t);
    }
    if (type == NAME) {
        const char *s = p->tok.text + t->start;
        Py_ssize_t n = t->end - t->start;
        t->type = (uint8_t)(type = keyword_type(s, n));
        t->soft = type == NAME ? (uint8_t)soft_keyword(s, n) : 0;
    }
    else if (p->start == Py_single_input) {
        if (type == ENDMARKER && p->started) {             /* the end of the text ends the statement and its blocks */
            t->type = (uint8_t)(type = NEWLINE);
            p->started = false;
            if (p->tok.indent && !(p->flags & PyCF_DONT_IMPLY_DEDENT)) {
                p->tok.pending_indents = -p->tok.indent;
                p->tok.indent = 0;
            }
        }
        else p->started = true;
    }
    if (type == NAME || type >= KW_FALSE) p->started = true;
    p->fill++;
    if (UNLIKELY(type == ERRORTOKEN)) {
        p->shown_fill = p->fill;
        parser_tokenizer_error(p);
    }
    return type;
}

/* ---- sequences ---- */

int scratch_grow(Parser *p)
{
    Py_ssize_t room = p->scratch_room ? p->scratch_room * 2 : 128;
    void **scratch = PyMem_Realloc(p->scratch, (size_t)room * sizeof *scratch);
    if (!scratch) {
        PyErr_NoMemory();
        p->failed = true;
        return -1;
    }
    p->scratch = scratch;
    p->scratch_room = room;
    return 0;
}

any_seq *seq_take(Parser *p, Py_ssize_t base)
{
    Py_ssize_t n = p->scratch_top - base;
    p->scratch_top = base;
    if (!n) return NULL;
    any_seq *seq = seq_new_(p->arena, n, sizeof(void *));
    if (!seq) p->failed = true;
    else memcpy(seq->items, p->scratch + base, (size_t)n * sizeof(void *));
    return seq;
}

any_seq *seq_of_one(Parser *p, void *item)
{
    any_seq *seq = seq_new_(p->arena, 1, sizeof(void *));
    if (!seq) p->failed = true;
    else seq->items[0] = item;
    return seq;
}

bool parser_overflow(Parser *p)
{
    PyErr_SetString(PyExc_MemoryError, "Parser stack overflowed - Python source too complex to parse");
    p->failed = true;
    return false;
}

/* ---- names ---- */

PyObject *parser_own(Parser *p, PyObject *object)
{
    if (!object || arena_own(p->arena, object) < 0) {
        p->failed = true;
        return NULL;
    }
    return object;
}

/* NFKC, for names with letters beyond ASCII. STEALS name. */
static COLD PyObject *normalize_name(Parser *p, PyObject *name)
{
    if (!p->normalize) {
        PyObject *module = PyImport_ImportModule("unicodedata");
        if (module) p->normalize = PyObject_GetAttrString(module, "normalize");
        Py_XDECREF(module);
    }
    PyObject *form = p->normalize ? PyUnicode_FromString("NFKC") : NULL, *result = NULL;
    if (form) {
        PyObject *args[] = { form, name };
        result = PyObject_Vectorcall(p->normalize, args, 2, NULL);
        Py_DECREF(form);
    }
    if (result && !PyUnicode_CheckExact(result)) {
        PyErr_Format(PyExc_TypeError, "unicodedata.normalize() must return a string, not %.200s", Py_TYPE(result)->tp_name);
        Py_CLEAR(result);
    }
    Py_DECREF(name);
    return result;
}

/* A name that only normalisation made a constant's: the tree is then invalid, and only the validator says how. */
static bool keyword_name(PyObject *name)
{
    return PyUnicode_EqualToUTF8(name, "None") || PyUnicode_EqualToUTF8(name, "True") || PyUnicode_EqualToUTF8(name, "False");
}

static int names_grow(Parser *p)
{
    uint32_t size = p->names_mask ? (p->names_mask + 1) * 2 : 256;
    NameEntry *names = PyMem_Calloc(size, sizeof *names);
    if (!names) {
        PyErr_NoMemory();
        return -1;
    }
    for (uint32_t i = 0; p->names && i <= p->names_mask; i++) {
        if (!p->names[i].object) continue;
        uint32_t j = p->names[i].hash & (size - 1);
        while (names[j].object) j = (j + 1) & (size - 1);
        names[j] = p->names[i];
    }
    PyMem_Free(p->names);
    p->names = names;
    p->names_mask = size - 1;
    return 0;
}

/* One object for all equal names of a text: found by the bytes, so that most names cost no object at all. */
PyObject *parser_intern(Parser *p, const char *text, Py_ssize_t length)
{
    if (p->failed) return NULL;                            /* reading ahead found an error: no calls with an exception set */
    uint32_t hash = 2166136261u;
    uint8_t high = 0;
    for (Py_ssize_t i = 0; i < length; i++) {
        hash = (hash ^ (uint8_t)text[i]) * 16777619u;
        high |= (uint8_t)text[i];
    }
    hash ^= hash >> 15;
    if (p->names_count * 2 >= p->names_mask && names_grow(p) < 0) goto error;
    uint32_t i = hash & p->names_mask;
    for (; p->names[i].object; i = (i + 1) & p->names_mask) {
        NameEntry *e = &p->names[i];
        if (e->hash == hash && e->length == length && !memcmp(e->text, text, (size_t)length)) return e->object;
    }
    char *copy = arena_alloc(p->arena, (size_t)length + 1);
    PyObject *object = copy ? PyUnicode_DecodeUTF8(text, length, NULL) : NULL;
    if (object && high & 0x80 && (object = normalize_name(p, object)) && keyword_name(object)) p->must_validate = true;
    if (!object) goto error;
    PyUnicode_InternInPlace(&object);
    if (!parser_own(p, object)) return NULL;
    memcpy(copy, text, (size_t)length);
    p->names[i] = (NameEntry){ copy, object, hash, (uint32_t)length };
    p->names_count++;
    return object;
error:
    p->failed = true;
    return NULL;
}

PyObject *parser_name(Parser *p, const Token *t)
{
    return parser_intern(p, p->tok.text + t->start, t->end - t->start);
}

PyObject *parser_type_comment(Parser *p, const Token *t)
{
    return parser_own(p, PyUnicode_DecodeUTF8(p->tok.text + t->start, t->end - t->start, NULL));
}

/* ---- errors ---- */

/* The text of a line for an error: from the file of that name if it is there, else from the tokenizer. New. */
static PyObject *error_line(Parser *p, Py_ssize_t lineno)
{
    Tokenizer *tok = &p->tok;
    if (p->start == Py_file_input && p->filename) {
        PyObject *line = syntax_line_of_file(p->filename, (int)lineno);
        if (line || PyErr_Occurred()) return line;
    }
    if (!tok->interactive && tok->lineno <= lineno && tok->inp > tok->line_start)           /* several lines, if an error moved line_start back */
        return PyUnicode_DecodeUTF8(tok->line_start, tok->inp - tok->line_start, "replace");
    const char *line = tok->text, *newline;
    for (Py_ssize_t i = 1; i < lineno; i++) {
        if (!(newline = strchr(line, '\n')) || newline + 1 > tok->inp) break;
        line = newline + 1;
    }
    newline = strchr(line, '\n');
    return PyUnicode_DecodeUTF8(line, newline ? newline - line : (Py_ssize_t)strlen(line), "replace");
}

/* How many characters the first `offset` bytes of a line are; counts from 1 go in and come out. -1 with an exception. */
static Py_ssize_t characters_before(PyObject *line, Py_ssize_t offset)
{
    Py_ssize_t size;
    const char *utf8 = PyUnicode_AsUTF8AndSize(line, &size);
    if (!utf8) return -1;
    if (offset < 0) return offset;
    if (offset > size + 1) offset = size + 1;
    PyObject *text = PyUnicode_DecodeUTF8(utf8, offset, "replace");
    if (!text) return -1;
    Py_ssize_t count = PyUnicode_GET_LENGTH(text);
    Py_DECREF(text);
    return count;
}

static COLD void *raise_message(Parser *p, PyObject *type, PyObject *message, Py_ssize_t lineno, Py_ssize_t col,
                                Py_ssize_t end_lineno, Py_ssize_t end_col)
{
    PyObject *line = NULL, *value = NULL;
    if (p->failed && PyErr_Occurred()) {                   /* the first error counts */
        Py_XDECREF(message);
        return NULL;
    }
    p->failed = true;
    if (!message || !(line = error_line(p, lineno))) goto done;
    col = characters_before(line, col);
    if (col < 0 && PyErr_Occurred()) goto done;
    if (end_col > 0) {
        PyObject *end_line = line;
        Py_INCREF(end_line);
        end_col = characters_before(end_line, end_col);
        Py_DECREF(end_line);
        if (end_col < 0) goto done;
    }
    value = Py_BuildValue("(O(OnnOnn))", message, p->filename ? p->filename : Py_None, lineno, col, line, end_lineno, end_col);
    if (value) PyErr_SetObject(type, value);
done:
    Py_XDECREF(message);
    Py_XDECREF(line);
    Py_XDECREF(value);
    return NULL;
}

#define FORMAT_MESSAGE(format)                                                                                          \
    va_list args_;                                                                                                      \
    va_start(args_, format);                                                                                            \
    PyObject *message = p->failed && PyErr_Occurred() ? NULL : PyUnicode_FromFormatV(format, args_);                    \
    va_end(args_)

void *parser_raise_at(Parser *p, PyObject *type, Span span, const char *format, ...)
{
    FORMAT_MESSAGE(format);
    return raise_message(p, type, message, span.lineno, span.col_offset + 1, span.end_lineno, span.end_col_offset + 1);
}

void *parser_raise_token(Parser *p, const Token *t, const char *format, ...)
{
    FORMAT_MESSAGE(format);
    return raise_message(p, PyExc_SyntaxError, message, t->lineno, t->col + 1, t->end_lineno, t->end_col + 1);
}

void *parser_raise_offsets(Parser *p, PyObject *type, Py_ssize_t lineno, Py_ssize_t col, Py_ssize_t end_lineno,
                           Py_ssize_t end_col, const char *format, ...)
{
    FORMAT_MESSAGE(format);
    return raise_message(p, type, message, lineno, col, end_lineno, end_col);
}

void *parser_raise_unclosed(Parser *p)
{
    int line = p->tok.bracket_lines[p->tok.level - 1], col = p->tok.bracket_columns[p->tok.level - 1];
    return parser_raise_at(p, PyExc_SyntaxError, (Span){ line, col, line, -1 }, "'%c' was never closed",
                           p->tok.brackets[p->tok.level - 1]);
}

static void *raise_at_token(Parser *p, PyObject *type, int index, PyObject *message)
{
    const Token *t = &p->tokens[index];
    Py_ssize_t col = t->col + 1, end_col = t->end_col == -1 ? -1 : t->end_col + 1;
    if (t->col == -1) col = p->tok.file_ended ? 0 : p->tok.cur - p->tok.line_start;
    return raise_message(p, type, message, t->lineno, col, t->end_lineno, end_col);
}

void *parser_raise_index(Parser *p, PyObject *type, int index, const char *format, ...)
{
    FORMAT_MESSAGE(format);
    return raise_at_token(p, type, index, message);
}

void *parser_raise_last(Parser *p, PyObject *type, const char *format, ...)
{
    FORMAT_MESSAGE(format);
    int fill = p->diagnosing ? p->shown_fill : p->fill;
    return fill ? raise_at_token(p, type, fill - 1, message) : raise_message(p, type, message, 0, 0, 0, -1);
}

/* A token with bytes that are not UTF-8. */
static void raise_decode_problem(Parser *p)
{
    PyObject *error = PyErr_GetRaisedException();
    if (error) {
        if (PyErr_GivenExceptionMatches(error, PyExc_UnicodeError)) {
            PyObject *text = PyObject_Str(error);
            if (text) parser_raise_last(p, PyExc_SyntaxError, "(unicode error) %U", text);
            Py_XDECREF(text);
            Py_DECREF(error);
        }
        else PyErr_SetRaisedException(error);
    }
    p->failed = true;
}

/* What the tokenizer only said with a number becomes an exception. */
bool parser_tokenizer_error(Parser *p)
{
    Tokenizer *tok = &p->tok;
    if (tok->done == DONE_DECODE) {
        raise_decode_problem(p);
        return false;
    }
    if (PyErr_Occurred()) {
        p->failed = true;
        return false;
    }
    PyObject *type = PyExc_SyntaxError;
    const char *message = "unknown parsing error";
    Py_ssize_t col = -1;
    switch (tok->done) {
    case DONE_EOF:
        if (tok->level) parser_raise_unclosed(p);
        else parser_raise_last(p, PyExc_SyntaxError, "unexpected EOF while parsing");
        return false;
    case DONE_DEDENT:
        parser_raise_last(p, PyExc_IndentationError, "unindent does not match any outer indentation level");
        return false;
    case DONE_INTERRUPTED:
        PyErr_SetNone(PyExc_KeyboardInterrupt);
        p->failed = true;
        return false;
    case DONE_TABSPACE:
        type = PyExc_TabError;
        message = "inconsistent use of tabs and spaces in indentation";
        break;
    case DONE_TOO_DEEP:
        type = PyExc_IndentationError;
        message = "too many levels of indentation";
        break;
    case DONE_LINE_CONT:
        col = tok->cur - tok->token_line - 1;
        message = "unexpected character after line continuation character";
        break;
    case DONE_COLUMN_OVERFLOW:
        PyErr_SetString(PyExc_OverflowError, "Parser column offset overflow - source line is too big");
        p->failed = true;
        return false;
    default:
        break;
    }
    parser_raise_offsets(p, type, tok->lineno, (col >= 0 ? col : 0) + 1, tok->lineno, 0, "%s", message);
    return false;
}

bool check_version(Parser *p, int minor, const char *what)
{
    if (LIKELY(p->feature_version >= minor)) return true;
    parser_raise_last(p, PyExc_SyntaxError, "%s only supported in Python 3.%i and greater", what, minor);
    return false;
}

void parser_check_rest(Parser *p, int last)
{
    if (p->tok.interactive) return;
    PyObject *pending = PyErr_GetRaisedException();
    bool failed = p->failed;
    int current_line = p->tokens[last].lineno;
    p->failed = false;
    for (;;) {
        Token t;
        int type = tokenizer_next(&p->tok, &t);
        if (type == ERRORTOKEN) {
            if (p->tok.mode) {                             /* inside an f-string that has been called wrong already */
                PyErr_Clear();
                break;
            }
            if (PyErr_Occurred()) break;
            if (p->tok.level && current_line > p->tok.bracket_lines[p->tok.level - 1]) parser_raise_unclosed(p);
            break;
        }
        if (type == ENDMARKER) break;
    }
    if (PyErr_Occurred()) Py_XDECREF(pending);
    else PyErr_SetRaisedException(pending);
    p->failed = failed || PyErr_Occurred();
}

/* ---- entry points ---- */

static void parser_clear(Parser *p)
{
    tokenizer_clear(&p->tok);
    PyMem_Free(p->tokens);
    PyMem_Free(p->scratch);
    PyMem_Free(p->names);
    Py_CLEAR(p->normalize);
}

static int parser_init(Parser *p, Arena *arena, char *text, Py_ssize_t length, PyObject *filename, int start,
                       const PyCompilerFlags *flags)
{
    memset(p, 0, offsetof(Parser, tok));
    if (tokenizer_init(&p->tok, text, length, filename) < 0) return -1;
    p->arena = arena;
    p->filename = filename;
    p->start = start;
    p->flags = flags ? flags->cf_flags : 0;
    p->feature_version = flags && flags->cf_flags & PyCF_ONLY_AST && flags->cf_feature_version ? flags->cf_feature_version
                                                                                               : PY_MINOR_VERSION;
    p->barry_as_bdfl = p->flags & CO_FUTURE_BARRY_AS_BDFL;
    p->tok.type_comments = p->flags & PyCF_TYPE_COMMENTS;
    p->type_ignores_end = &p->type_ignores;
    p->warned_up_to = -1;
    p->level = LEVEL_BASE + (start == Py_file_input ? 6 : start == Py_single_input ? 4 : 0);
    return 0;
}

/* Whether the input ended too early, so that more of it might make it right. */
static bool at_end_of_source(Parser *p)
{
    return p->tok.done == DONE_EOF || p->tok.done == DONE_EOF_IN_STRING || p->tok.done == DONE_EOL_IN_STRING;
}

static bool raise_if_incomplete(Parser *p)
{
    if (!(p->flags & PyCF_ALLOW_INCOMPLETE_INPUT) || !at_end_of_source(p)) return false;
    PyErr_Clear();
    p->failed = false;
    PyObject *builtins = PyImport_ImportModule("builtins"), *type = NULL;
    if (builtins) type = PyObject_GetAttrString(builtins, "_IncompleteInputError");
    if (type) parser_raise_last(p, type, "incomplete input");
    Py_XDECREF(type);
    Py_XDECREF(builtins);
    return true;
}

/* After a whole single statement, only blank lines and comments may follow. */
static bool bad_single_statement(Parser *p)
{
    const char *s = p->tok.cur;
    for (;;) {
        while (*s == ' ' || *s == '\t' || *s == '\n' || *s == '\014') s++;
        if (!*s) return false;
        if (*s != '#') return true;
        while (*s && *s != '\n') s++;
    }
}

static mod_ty parser_run(Parser *p)
{
    mod_ty tree = parse_module(p);
    if (!tree) {
        if (p->failed && !PyErr_Occurred()) PyErr_SetString(PyExc_SystemError, "parser failed without an exception");
        if (p->failed) {
            if (raise_if_incomplete(p)) return NULL;
            if (!PyErr_ExceptionMatches(PyExc_SyntaxError)) return NULL;
            if (p->tok.done == DONE_OK) parser_check_rest(p, p->fill - 1);
            return NULL;
        }
        parser_diagnose(p, raise_if_incomplete);
        if (!PyErr_Occurred()) PyErr_SetString(PyExc_SystemError, "syntax error without a diagnosis");
        return NULL;
    }
    if (p->start == Py_single_input && bad_single_statement(p)) {
        parser_raise_last(p, PyExc_SyntaxError, "multiple statements found while compiling a single statement");
        return NULL;
    }
    return p->must_validate && tree_validate(tree) < 0 ? NULL : tree;
}

static mod_ty parse_text(Arena *arena, char *text, Py_ssize_t length, bool from_file, PyObject *filename, int start,
                         const PyCompilerFlags *flags)
{
    Parser *p = PyMem_Malloc(sizeof *p);
    if (!p) {
        PyMem_Free(text);
        return (mod_ty)PyErr_NoMemory();
    }
    mod_ty tree = NULL;
    if (parser_init(p, arena, text, length, filename, start, flags) == 0) {
        p->tok.from_file = from_file;
        tree = parser_run(p);
        parser_clear(p);
    }
    PyMem_Free(p);
    return tree;
}

mod_ty syntax_parse_bytes(Arena *arena, const char *source, Py_ssize_t length, PyObject *filename, int start,
                          const PyCompilerFlags *flags)
{
    bool added = false, is_file = start == Py_file_input;
    if (PySys_Audit("compile", "y#O", source, length, filename) < 0) return NULL;
    char *text = flags && flags->cf_flags & PyCF_IGNORE_COOKIE ? source_translate_newlines(source, &length, is_file, &added)
                                                               : source_decode(source, &length, is_file, filename, &added);
    return text ? parse_text(arena, text, length, false, filename, start, flags) : NULL;
}

mod_ty syntax_parse_file(Arena *arena, const char *source, Py_ssize_t length, PyObject *filename, int start,
                         const PyCompilerFlags *flags)
{
    bool added;
    if (PySys_Audit("compile", "OO", Py_None, filename) < 0) return NULL;
    char *text = source_decode(source, &length, true, filename, &added);
    return text ? parse_text(arena, text, length, true, filename, start, flags) : NULL;
}

mod_ty syntax_parse_object(Arena *arena, PyObject *source, PyObject *filename, int start, const PyCompilerFlags *flags,
                           const char *function, const char *what)
{
    PyCompilerFlags own = { .cf_flags = flags ? flags->cf_flags : 0,
                            .cf_feature_version = flags ? flags->cf_feature_version : PY_MINOR_VERSION };
    const char *text;
    Py_ssize_t length;
    Py_buffer view = { 0 };
    mod_ty tree = NULL;
    if (PyUnicode_Check(source)) {
        own.cf_flags |= PyCF_IGNORE_COOKIE;
        if (!(text = PyUnicode_AsUTF8AndSize(source, &length))) return NULL;
    }
    else if (PyBytes_Check(source)) text = PyBytes_AS_STRING(source), length = PyBytes_GET_SIZE(source);
    else if (PyByteArray_Check(source)) text = PyByteArray_AS_STRING(source), length = PyByteArray_GET_SIZE(source);
    else if (PyObject_CheckBuffer(source) && PyObject_GetBuffer(source, &view, PyBUF_SIMPLE) == 0)
        text = view.buf, length = view.len;
    else {
        PyErr_Clear();
        PyErr_Format(PyExc_TypeError, "%s() arg 1 must be a %s object", function, what);
        return NULL;
    }
    if (memchr(text, '\0', (size_t)length)) PyErr_SetString(PyExc_SyntaxError, "source code string cannot contain null bytes");
    else tree = syntax_parse_bytes(arena, text, length, filename, start, &own);
    if (view.obj) PyBuffer_Release(&view);
    return tree;
}

/* ---- line by line ---- */

typedef struct LineReader {
    SyntaxReadLine read;
    void *context;
    int lines;
} LineReader;

static int refill_from_reader(Tokenizer *tok, void *context)
{
    LineReader *reader = context;
    PyObject *line = reader->read(reader->context, reader->lines++ > 0);
    if (!line) return -1;
    Py_ssize_t length;
    bool added;
    const char *utf8 = PyUnicode_AsUTF8AndSize(line, &length);
    char *text = utf8 ? source_translate_newlines(utf8, &length, length > 0, &added) : NULL;
    Py_DECREF(line);
    if (!text) return -1;
    int status = length ? tokenizer_feed(tok, text, length) : 0;
    PyMem_Free(text);
    return status < 0 ? -1 : length > 0;
}

mod_ty syntax_parse_lines(Arena *arena, SyntaxReadLine read_line, void *context, PyObject *filename, int start,
                          const PyCompilerFlags *flags, int *error_was_eof)
{
    if (PySys_Audit("compile", "OO", Py_None, filename) < 0) return NULL;
    Parser *p = PyMem_Malloc(sizeof *p);
    if (!p) return (mod_ty)PyErr_NoMemory();
    LineReader reader = { read_line, context, 0 };
    mod_ty tree = NULL;
    if (parser_init(p, arena, NULL, 0, filename, start, flags) == 0) {
        p->tok.refill = refill_from_reader;
        p->tok.context = &reader;
        p->tok.interactive = start == Py_single_input;
        tree = parser_run(p);
        if (error_was_eof) *error_was_eof = p->error_was_eof;
        parser_clear(p);
    }
    PyMem_Free(p);
    return tree;
}
