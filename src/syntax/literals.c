/* Numbers and strings: from the text of a token to the object it stands for, and the joining of adjacent string literals.
 *
 * Escapes are decoded here and not by the codecs, because a literal warns about unknown escapes in its own way; the positions in
 * "(unicode error) ..." messages are those of a text in which every character beyond ASCII counts as "\UXXXXXXXX". */
#include "syntax/parser_private.h"

/* ---- numbers ---- */

static COLD void *raise_digit_limit(Parser *p, const Token *t)
{
    PyObject *error = PyErr_GetRaisedException();
    if (!PyErr_GivenExceptionMatches(error, PyExc_ValueError)) {
        PyErr_SetRaisedException(error);
        p->failed = true;
        return NULL;
    }
    parser_raise_offsets(p, PyExc_SyntaxError, t->lineno, 0, t->end_lineno, 0,
                         "%S - Consider hexadecimal for huge integer literals to avoid decimal conversion limits.", error);
    Py_DECREF(error);
    return NULL;
}

static PyObject *number_value(const char *s, size_t n)
{
    char last = s[n - 1];
    bool radix = n > 2 && s[0] == '0' && Py_ISALPHA((uint8_t)s[1]) && (s[1] | 0x20) != 'e' && (s[1] | 0x20) != 'j';
    if (!radix && (last == 'j' || last == 'J')) {
        char *end;
        double d = PyOS_string_to_double(s, &end, NULL);
        return d == -1.0 && PyErr_Occurred() ? NULL : PyComplex_FromDoubles(0.0, d);
    }
    if (!radix && strpbrk(s, ".eE")) {
        double d = PyOS_string_to_double(s, NULL, NULL);
        return d == -1.0 && PyErr_Occurred() ? NULL : PyFloat_FromDouble(d);
    }
    if (!radix && s[0] == '0') return PyLong_FromLong(0);  /* however many of them */
    if (!radix && n < 18) {
        long value = 0;
        for (const char *q = s; *q; q++) value = value * 10 + (*q - '0');
        return PyLong_FromLong(value);
    }
    return PyLong_FromString(s, NULL, 0);
}

PyObject *literal_number(Parser *p, const Token *t)
{
    if (p->failed) return NULL;                            /* reading ahead found an error of the tokenizer */
    const char *s = p->tok.text + t->start;
    size_t n = (size_t)(t->end - t->start), length = 0;
    char local[64], *digits = n < sizeof local ? local : PyMem_Malloc(n + 1);
    if (!digits) {
        PyErr_NoMemory();
        p->failed = true;
        return NULL;
    }
    for (size_t i = 0; i < n; i++) if (s[i] != '_') digits[length++] = s[i];
    digits[length] = '\0';
    PyObject *value = NULL;
    if (length == n || check_version(p, 6, "Underscores in numeric literals are")) {
        value = number_value(digits, length);
        if (!value) raise_digit_limit(p, t);
        else value = parser_own(p, value);
    }
    if (digits != local) PyMem_Free(digits);
    return value;
}

/* ---- escapes ---- */

/* The error of the "unicodeescape" codec, over the text with every character beyond ASCII written out. */
static COLD PyObject *raise_unicode_error(const char *s, Py_ssize_t length, Py_ssize_t start, Py_ssize_t end, const char *reason)
{
    PyObject *result = NULL;
    char *text = PyMem_Malloc((size_t)length * 10 + 1), *out = text;
    if (!text) return PyErr_NoMemory();
    Py_ssize_t at_start = -1, at_end = -1;
    for (Py_ssize_t i = 0; i <= length; i++) {
        if (i == start) at_start = out - text;
        if (i == end) at_end = out - text;
        if (i == length) break;
        uint8_t c = (uint8_t)s[i];
        if (c == '\\') {                                   /* one that escapes nothing is written out too */
            *out++ = '\\';
            if (i + 1 == length || (uint8_t)s[i + 1] >= 128) out += sprintf(out, "u005c");
            else if (i + 1 != start && i + 1 != end) *out++ = s[++i];
            continue;
        }
        if (c < 128) {
            *out++ = (char)c;
            continue;
        }
        int more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : 1;
        uint32_t ch = c & (0x3f >> more);
        for (int k = 0; k < more; k++) ch = ch << 6 | ((uint8_t)s[++i] & 0x3f);
        out += sprintf(out, "\\U%08x", (unsigned)ch);
    }
    PyObject *error = PyObject_CallFunction(PyExc_UnicodeDecodeError, "sy#nns", "unicodeescape", text, (Py_ssize_t)(out - text),
                                            at_start, at_end, reason);
    if (error) PyErr_SetObject(PyExc_UnicodeDecodeError, error);
    Py_XDECREF(error);
    PyMem_Free(text);
    return result;
}

static inline int hex_digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The character of \N{name}; s[0 .. n) is the whole escape. Looked up by the codec. (Py_UCS4)-1 with or without exception. */
static Py_UCS4 named_character(const char *s, Py_ssize_t n)
{
    PyObject *text = PyUnicode_DecodeUnicodeEscape(s, n, NULL);
    Py_UCS4 ch = (Py_UCS4)-1;
    if (text && PyUnicode_GET_LENGTH(text) == 1) ch = PyUnicode_READ_CHAR(text, 0);
    Py_XDECREF(text);
    if (ch == (Py_UCS4)-1 && PyErr_ExceptionMatches(PyExc_UnicodeDecodeError)) PyErr_Clear();
    return ch;
}

/* New str. The first escape that means nothing is left as it is and reported in *bad. */
static PyObject *unescape_text(const char *s, Py_ssize_t length, const char **bad)
{
    *bad = NULL;
    Py_UCS4 *buffer = length > PY_SSIZE_T_MAX / 4 ? NULL : PyMem_Malloc((size_t)length * sizeof(Py_UCS4)), *out = buffer;
    if (!buffer) return PyErr_NoMemory();
    PyObject *result = NULL;
    const char *p = s, *end = s + length, *reason;
    while (p != end) {
        uint8_t c = (uint8_t)*p;
        if (c >= 128) {
            int more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : 1;
            Py_UCS4 ch = c & (0x3f >> more);
            p++;
            while (more--) ch = ch << 6 | ((uint8_t)*p++ & 0x3f);
            *out++ = ch;
            continue;
        }
        if (c != '\\') {
            *out++ = c;
            p++;
            continue;
        }
        const char *start = p++;
        if (p == end || (uint8_t)*p >= 128) {
            *out++ = '\\';
            continue;
        }
        int digits = 0;
        switch ((c = (uint8_t)*p++)) {
        case '\n': continue;
        case '\\': case '\'': case '"': *out++ = c; continue;
        case 'a': *out++ = '\a'; continue;
        case 'b': *out++ = '\b'; continue;
        case 'f': *out++ = '\f'; continue;
        case 'n': *out++ = '\n'; continue;
        case 'r': *out++ = '\r'; continue;
        case 't': *out++ = '\t'; continue;
        case 'v': *out++ = '\v'; continue;
        case '0' ... '7': {
            Py_UCS4 value = c - '0';
            for (int i = 0; i < 2 && p != end && *p >= '0' && *p <= '7'; i++) value = value * 8 + (Py_UCS4)(*p++ - '0');
            if (value > 0xff && !*bad) *bad = start + 1;
            *out++ = value;
            continue;
        }
        case 'x': digits = 2, reason = "truncated \\xXX escape"; break;
        case 'u': digits = 4, reason = "truncated \\uXXXX escape"; break;
        case 'U': digits = 8, reason = "truncated \\UXXXXXXXX escape"; break;
        case 'N': {
            reason = "malformed \\N character escape";
            if (p == end || *p != '{') goto error;
            const char *name = ++p;
            while (p != end && *p != '}') p++;
            if (p == end || p == name) goto error;
            p++;
            Py_UCS4 ch = named_character(start, p - start);
            if (ch == (Py_UCS4)-1) {
                if (PyErr_Occurred()) goto done;
                reason = "unknown Unicode character name";
                goto error;
            }
            *out++ = ch;
            continue;
        }
        default:
            if (!*bad) *bad = start + 1;
            *out++ = '\\';
            p--;
            continue;
        }
        Py_UCS4 value = 0;
        for (; digits; digits--, p++) {
            int digit = p == end ? -1 : hex_digit(*p);
            if (digit < 0) goto error;
            value = value << 4 | (Py_UCS4)digit;
        }
        if (value > 0x10ffff) {
            reason = "illegal Unicode character";
            goto error;
        }
        *out++ = value;
        continue;
    error:
        raise_unicode_error(s, length, start - s, p - s, reason);
        goto done;
    }
    result = PyUnicode_FromKindAndData(PyUnicode_4BYTE_KIND, buffer, out - buffer);
done:
    PyMem_Free(buffer);
    return result;
}

/* A single byte is the one object for it, as everywhere. Takes over value. */
static PyObject *bytes_canonical(PyObject *value)
{
    if (!value || PyBytes_GET_SIZE(value) != 1) return value;
    PyObject *one = PyBytes_FromStringAndSize(PyBytes_AS_STRING(value), 1);
    Py_DECREF(value);
    return one;
}

static PyObject *unescape_bytes(const char *s, Py_ssize_t length, const char **bad)
{
    *bad = NULL;
    PyObject *result = PyBytes_FromStringAndSize(NULL, length);
    if (!result) return NULL;
    char *out = PyBytes_AS_STRING(result);
    const char *p = s, *end = s + length;
    while (p != end) {
        if (*p != '\\') {
            *out++ = *p++;
            continue;
        }
        const char *start = p++;
        if (p == end) {
            PyErr_SetString(PyExc_ValueError, "Trailing \\ in string");
            goto error;
        }
        char c = *p++;
        switch (c) {
        case '\n': break;
        case '\\': case '\'': case '"': *out++ = c; break;
        case 'a': *out++ = '\a'; break;
        case 'b': *out++ = '\b'; break;
        case 'f': *out++ = '\f'; break;
        case 'n': *out++ = '\n'; break;
        case 'r': *out++ = '\r'; break;
        case 't': *out++ = '\t'; break;
        case 'v': *out++ = '\v'; break;
        case '0' ... '7': {
            int value = c - '0';
            for (int i = 0; i < 2 && p != end && *p >= '0' && *p <= '7'; i++) value = value * 8 + (*p++ - '0');
            if (value > 0xff && !*bad) *bad = start + 1;
            *out++ = (char)value;
            break;
        }
        case 'x':
            if (end - p >= 2 && hex_digit(p[0]) >= 0 && hex_digit(p[1]) >= 0) {
                *out++ = (char)(hex_digit(p[0]) << 4 | hex_digit(p[1]));
                p += 2;
                break;
            }
            PyErr_Format(PyExc_ValueError, "invalid \\x escape at position %zd", start - s);
            goto error;
        default:
            if (!*bad) *bad = start + 1;
            *out++ = '\\';
            p--;
        }
    }
    if (_PyBytes_Resize(&result, out - PyBytes_AS_STRING(result)) < 0) return NULL;
    return bytes_canonical(result);
error:
    Py_DECREF(result);
    return NULL;
}

/* Where the bad escape of a literal stands. Lines and columns are counted through the literal's content from the token's place,
 * each character beyond ASCII as the ten of its \U form; opening quotes are added if the token begins with them. */
static COLD Span place_of_escape(Parser *p, const Token *t, const char *s, const char *bad)
{
    int lineno = t->lineno, col = t->col;
    for (; s < bad - 1; s++) {
        uint8_t c = (uint8_t)*s;
        if (c == '\n') lineno++, col = 0;
        else if (c == '\\' && (uint8_t)s[1] >= 128) col += 6;
        else if (c < 128) col++;
        else if (c >= 0xc0) col += 10;
    }
    if (lineno == t->lineno) {
        const char *text = p->tok.text + t->start, *end = p->tok.text + t->end;
        for (const char *q = text; q < end && (*q == '\'' || *q == '"'); q++) if (*q == *text) col++;
    }
    return (Span){ lineno, col, lineno, col + 2 };
}

/* 0, or -1 with an exception. s is where the literal's content begins, bad stands behind the backslash. */
static COLD int warn_bad_escape(Parser *p, const char *s, const char *bad, const char *end, const Token *t)
{
    char c = *bad;
    if (p->escapes_silent) return 0;
    if ((t->type == FSTRING_MIDDLE || t->type == FSTRING_END) && (c == '{' || c == '}')) return 0;     /* the tokenizer warned */
    int index = (int)(t - p->tokens);
    if (t->type != FSTRING_END) {                          /* text may be parsed again: warn once */
        if (index <= p->warned_up_to) return 0;
        p->warned_up_to = index;
    }
    bool octal = c >= '4' && c <= '7';
    char shown[4] = { c, 0, 0, 0 };
    if (octal) for (int i = 1; i < 3 && bad + i < end; i++) shown[i] = bad[i];
    const char *format = octal ? "invalid octal escape sequence '\\%s'" : "invalid escape sequence '\\%c'";
    PyObject *message = octal ? PyUnicode_FromFormat(format, shown) : PyUnicode_FromFormat(format, (int)(uint8_t)c);
    if (!message) goto error;
    Span span = place_of_escape(p, t, s, bad);
    PyObject *category = p->feature_version >= 12 ? PyExc_SyntaxWarning : PyExc_DeprecationWarning;
    if (PyErr_WarnExplicitObject(category, message, p->filename ? p->filename : Py_None, span.lineno, NULL, NULL) < 0) {
        if (PyErr_ExceptionMatches(category)) {
            PyErr_Clear();
            parser_raise_at(p, PyExc_SyntaxError, span, "%U", message);
        }
        goto error;
    }
    Py_DECREF(message);
    return 0;
error:
    Py_XDECREF(message);
    p->failed = true;
    return -1;
}

/* A failed decoding is a SyntaxError at the last token read. NULL. */
static COLD void *raise_literal_error(Parser *p)
{
    const char *kind = PyErr_ExceptionMatches(PyExc_UnicodeError) ? "unicode error"
                     : PyErr_ExceptionMatches(PyExc_ValueError) ? "value error" : NULL;
    if (kind && !p->failed) {
        PyObject *error = PyErr_GetRaisedException(), *text = PyObject_Str(error);
        if (!text) {
            PyErr_Clear();
            text = PyUnicode_FromString("unknown error");
        }
        if (text) parser_raise_last(p, PyExc_SyntaxError, "(%s) %U", kind, text);
        Py_XDECREF(text);
        Py_DECREF(error);
    }
    p->failed = true;
    return NULL;
}

PyObject *literal_unescape(Parser *p, const char *s, Py_ssize_t length, bool raw, const Token *t)
{
    if (raw || !memchr(s, '\\', (size_t)length)) return PyUnicode_DecodeUTF8(s, length, NULL);
    const char *bad;
    PyObject *check = NULL;
    for (Py_ssize_t i = 0; i < length; i++)
        if ((uint8_t)s[i] >= 128) {                        /* the loop below trusts the UTF-8 */
            if (!(check = PyUnicode_DecodeUTF8(s, length, NULL))) return NULL;
            Py_DECREF(check);
            break;
        }
    PyObject *result = unescape_text(s, length, &bad);
    if (result && bad && warn_bad_escape(p, s, bad, s + length, t) < 0) Py_CLEAR(result);
    return result;
}

/* ---- one literal ---- */

static PyObject *bytes_literal(Parser *p, const char *s, Py_ssize_t length, bool raw, const Token *t)
{
    for (Py_ssize_t i = 0; i < length; i++)
        if ((uint8_t)s[i] >= 128) return parser_raise_token(p, t, "bytes can only contain ASCII literal characters");
    if (raw || !memchr(s, '\\', (size_t)length)) return PyBytes_FromStringAndSize(s, length);
    const char *bad;
    PyObject *result = unescape_bytes(s, length, &bad);
    if (result && bad && warn_bad_escape(p, s, bad, s + length, t) < 0) Py_CLEAR(result);
    return result;
}

/* A Constant for a STRING token. */
expr_ty literal_string(Parser *p, int index)
{
    if (p->failed) return NULL;
    const Token *t = &p->tokens[index];
    const char *s = p->tok.text + t->start;
    Py_ssize_t length = t->end - t->start;
    bool bytes = false, raw = false;
    PyObject *kind = NULL;
    if (*s == 'u' && !(kind = p->kind_u)) {
        if (!(kind = p->kind_u = parser_intern(p, "u", 1))) return NULL;
    }
    for (; *s != '"' && *s != '\''; s++, length--) {
        if ((*s | 0x20) == 'b') bytes = true;
        else if ((*s | 0x20) == 'r') raw = true;
    }
    int quotes = length >= 6 && s[1] == s[0] && s[2] == s[0] ? 3 : 1;
    s += quotes;
    length -= 2 * quotes;
    PyObject *value = bytes ? bytes_literal(p, s, length, raw, t) : literal_unescape(p, s, length, raw, t);
    if (!value) return raise_literal_error(p);
    if (!parser_own(p, value)) return NULL;
    expr_ty e = NODE_NEW(expr, p->arena, span_of_token(&p->tokens[index]), Constant, value, kind);
    if (!e) p->failed = true;
    return e;
}

/* ---- f-strings ---- */

static expr_ty new_joined(Parser *p, expr_seq *values, Span span)
{
    expr_ty e = NODE_NEW(expr, p->arena, span, JoinedStr, values);
    if (!e) p->failed = true;
    return e;
}

/* A Constant for a FSTRING_MIDDLE token. What cannot be decoded in a format is reported as the codec reports it, without a place. */
static expr_ty middle_constant(Parser *p, int index, bool raw, bool in_format, const Token *blamed)
{
    if (p->failed) return NULL;
    const Token *t = &p->tokens[index];
    const char *s = p->tok.text + t->start;
    PyObject *value = literal_unescape(p, s, t->end - t->start, raw, blamed);
    if (!value) {
        PyObject *error = PyErr_GetRaisedException();
        PyObject *valid = PyUnicode_DecodeUTF8(s, t->end - t->start, NULL);
        if (!valid || in_format) {                         /* not even UTF-8: as the codec says it */
            if (!valid) Py_XDECREF(error);
            else PyErr_SetRaisedException(error);
            Py_XDECREF(valid);
            p->failed = true;
            return NULL;
        }
        Py_DECREF(valid);
        PyErr_SetRaisedException(error);
        return raise_literal_error(p);
    }
    if (!parser_own(p, value)) return NULL;
    expr_ty e = NODE_NEW(expr, p->arena, span_of_token(&p->tokens[index]), Constant, value, NULL);
    if (!e) p->failed = true;
    return e;
}

expr_ty literal_format_text(Parser *p, int index) { return middle_constant(p, index, false, true, &p->tokens[index]); }

static bool is_empty_text(expr_ty e)
{
    return e->kind == Constant_kind && PyUnicode_CheckExact(e->v.Constant.value) && !PyUnicode_GET_LENGTH(e->v.Constant.value);
}

static expr_ty replacement_field(Parser *p);

/* mark stands behind the ':'. */
static expr_ty format_spec(Parser *p, int colon)
{
    Py_ssize_t base = p->scratch_top;
    for (;;) {
        int type = at(p);
        expr_ty part;
        if (type == FSTRING_MIDDLE) {
            part = literal_format_text(p, p->mark);
            if (!part) return NULL;
            p->mark++;
            if (is_empty_text(part)) continue;
        }
        else if (type == LBRACE) {
            if (!(part = replacement_field(p))) return NULL;
        }
        else break;
        if (!push(p, part)) return NULL;
    }
    expr_seq *parts = TAKE(expr, base);
    if (p->failed) return NULL;
    Span span = span_from(p, colon);
    if (!parts || (parts->size == 1 && parts->items[0]->kind == Constant_kind)) return new_joined(p, parts, span);
    return literal_concatenate(p, parts, span);
}

/* The text of "expr =" in a replacement field, without comments. A '#' in a string counts as a comment too, as in CPython. */
static PyObject *debug_text(Parser *p, const Token *t)
{
    const char *s = p->tok.text + t->expr_start, *end = p->tok.text + t->expr_end;
    if (t->expr_end < 0 || t->expr_start < 0 || s > end) s = end = p->tok.text;
    if (!memchr(s, '#', (size_t)(end - s))) return parser_own(p, PyUnicode_DecodeUTF8(s, end - s, NULL));
    char *text = PyMem_Malloc((size_t)(end - s) + 1), *out = text;
    if (!text) {
        PyErr_NoMemory();
        p->failed = true;
        return NULL;
    }
    for (; s < end; s++) {
        if (*s == '#') while (s < end && *s != '\n') s++;
        if (s < end) *out++ = *s;
    }
    PyObject *result = PyUnicode_DecodeUTF8(text, out - text, NULL);
    PyMem_Free(text);
    return parser_own(p, result);
}

/* The token of the name behind '!'; -1 when there is no conversion, -2 on error. */
static int conversion(Parser *p)
{
    if (at(p) != EXCLAMATION) return -1;
    int mark = p->mark++;
    if (at(p) != NAME) return -2;
    const Token *bang = &p->tokens[mark], *name = &p->tokens[p->mark];
    if (bang->lineno == name->lineno && bang->end_col == name->col) return p->mark++;
    parser_raise_at(p, PyExc_SyntaxError, (Span){ bang->lineno, bang->col, name->end_lineno, name->end_col },
                    "f-string: conversion type must come right after the exclamanation mark");
    return -2;
}

/* 's', 'r' or 'a', or -2 on error. */
static int conversion_character(Parser *p, int mark)
{
    const Token *name = &p->tokens[mark];
    const char *s = p->tok.text + name->start;
    if (name->end - name->start == 1 && (*s == 's' || *s == 'r' || *s == 'a')) return *s;
    PyObject *id = parser_name(p, name);
    if (id) parser_raise_token(p, name, "f-string: invalid conversion character %R: expected 's', 'r', or 'a'", id);
    return -2;
}

/* '{' value ['='] ['!' conversion] [':' spec] '}'. With '=' the result is a JoinedStr of text and value. */
static expr_ty replacement_field(Parser *p)
{
    if (!enter(p, LEVEL_DISPLAY)) return NULL;
    int open = p->mark++, debug_end = -1;
    expr_ty result = NULL, spec = NULL, value = parse_yield_or_stars(p);
    if (!value) goto done;
    bool debug = accept(p, EQUAL);
    int bang = p->mark, convert = conversion(p);
    if (convert == -2) goto done;
    if (convert != -1) debug_end = bang;
    if (at(p) == COLON) {
        int colon = p->mark++;
        if (convert == -1) debug_end = colon;
        if (!(spec = format_spec(p, colon))) goto done;
    }
    if (at(p) != RBRACE) goto done;
    int close = p->mark++;
    if (convert >= 0 && (convert = conversion_character(p, convert)) < 0) goto done;
    if (debug && convert == -1 && !spec) convert = 'r';
    result = NODE(expr, open, FormattedValue, value, convert, spec);
    if (!result) {
        p->failed = true;
        goto done;
    }
    if (debug) {
        const Token *first = &p->tokens[open], *last = &p->tokens[debug_end < 0 ? close : debug_end];
        PyObject *text = debug_text(p, last);
        Span span = { first->lineno, first->col, last->lineno, last->col };
        if (debug_end < 0) span.end_lineno = last->end_lineno, span.end_col_offset = last->end_col;
        else if (convert != -1 && last->type == EXCLAMATION) {             /* the place of the conversion's name */
            last = &p->tokens[debug_end + 1];
            span.end_lineno = last->lineno, span.end_col_offset = last->col;
        }
        else span.end_col_offset++;
        Span text_span = { span.lineno, span.col_offset + 1, span.end_lineno, span.end_col_offset - 1 };
        expr_ty constant = text ? NODE_NEW(expr, p->arena, text_span, Constant, text, NULL) : NULL;
        expr_seq *pair = constant ? SEQ_NEW(expr, p->arena, 2) : NULL;
        if (pair) {
            pair->items[0] = constant;
            pair->items[1] = result;
            result = new_joined(p, pair, span);
        }
        else {
            p->failed = true;
            result = NULL;
        }
    }
done:
    leave(p, LEVEL_DISPLAY);
    return p->failed ? NULL : result;
}

/* mark stands at FSTRING_START. The parts, debug texts flattened, decoded once the end is known. */
static expr_ty fstring(Parser *p)
{
    int start = p->mark++;
    const Token *t = &p->tokens[start];
    bool raw = false;
    for (const char *s = p->tok.text + t->start; *s != '"' && *s != '\''; s++) if ((*s | 0x20) == 'r') raw = true;
    Py_ssize_t base = p->scratch_top;
    for (;;) {
        int type = at(p);
        if (type == FSTRING_MIDDLE) {                      /* remembered as an index: decoded later */
            if (!push(p, (void *)(((intptr_t)p->mark << 1) | 1))) return NULL;
            p->mark++;
        }
        else if (type == LBRACE) {
            expr_ty field = replacement_field(p);
            if (!field || !push(p, field)) return NULL;
        }
        else break;
    }
    if (at(p) != FSTRING_END) return NULL;
    int end = p->mark++;
    Py_ssize_t n = p->scratch_top - base;
    any_seq *raw_parts = seq_take(p, base);
    if (p->failed) return NULL;
    base = p->scratch_top;
    for (Py_ssize_t i = 0; i < n; i++) {
        intptr_t item = (intptr_t)raw_parts->items[i];
        if (item & 1) {
            expr_ty text = middle_constant(p, (int)(item >> 1), raw, false, &p->tokens[end]);
            if (!text) return NULL;
            if (!is_empty_text(text) && !push(p, text)) return NULL;
            continue;
        }
        expr_ty field = (expr_ty)item;
        if (field->kind != JoinedStr_kind) {
            if (!push(p, field)) return NULL;
            continue;
        }
        for (Py_ssize_t k = 0; k < seq_len(field->v.JoinedStr.values); k++)
            if (!push(p, seq_get(field->v.JoinedStr.values, k))) return NULL;
    }
    expr_seq *parts = TAKE(expr, base);
    return p->failed ? NULL : new_joined(p, parts, span_from(p, start));
}

/* ---- joining ---- */

static expr_ty concatenate_bytes(Parser *p, expr_seq *parts, Span span)
{
    PyObject *value = NULL;
    Py_ssize_t total = 0;
    for (Py_ssize_t i = 0; i < parts->size; i++) total += PyBytes_GET_SIZE(parts->items[i]->v.Constant.value);
    if (!(value = PyBytes_FromStringAndSize(NULL, total))) {
        p->failed = true;
        return NULL;
    }
    char *out = PyBytes_AS_STRING(value);
    for (Py_ssize_t i = 0; i < parts->size; i++) {
        PyObject *part = parts->items[i]->v.Constant.value;
        memcpy(out, PyBytes_AS_STRING(part), (size_t)PyBytes_GET_SIZE(part));
        out += PyBytes_GET_SIZE(part);
    }
    if (!(value = bytes_canonical(value))) {
        p->failed = true;
        return NULL;
    }
    if (!parser_own(p, value)) return NULL;
    expr_ty e = NODE_NEW(expr, p->arena, span, Constant, value, parts->items[0]->v.Constant.kind);
    if (!e) p->failed = true;
    return e;
}

/* Joins the Constants items[0 .. n) into one, whose kind is the first one's. */
static expr_ty join_constants(Parser *p, expr_ty *items, Py_ssize_t n)
{
    PyObject *list = PyList_New(n), *empty = PyUnicode_FromString(""), *text = NULL;
    if (list && empty) {
        for (Py_ssize_t i = 0; i < n; i++) PyList_SET_ITEM(list, i, Py_NewRef(items[i]->v.Constant.value));
        text = PyUnicode_Join(empty, list);
    }
    Py_XDECREF(list);
    Py_XDECREF(empty);
    if (!parser_own(p, text)) return NULL;
    Span span = SPAN_FROM_TO(items[0], items[n - 1]);
    expr_ty e = NODE_NEW(expr, p->arena, span, Constant, text, items[0]->v.Constant.kind);
    if (!e) p->failed = true;
    return e;
}

/* Adjacent literals become one Constant, or one JoinedStr in which neighbouring texts are one and empty ones are gone. */
expr_ty literal_concatenate(Parser *p, expr_seq *parts, Span span)
{
    bool formatted = false, text = false, bytes = false;
    for (Py_ssize_t i = 0; i < parts->size; i++) {
        expr_ty part = parts->items[i];
        if (part->kind != Constant_kind) formatted = true;
        else if (PyBytes_CheckExact(part->v.Constant.value)) bytes = true;
        else text = true;
    }
    if (bytes && (formatted || text)) return parser_raise_last(p, PyExc_SyntaxError, "cannot mix bytes and nonbytes literals");
    if (!formatted && parts->size == 1) return parts->items[0];
    if (bytes) return concatenate_bytes(p, parts, span);
    Py_ssize_t base = p->scratch_top;
    for (Py_ssize_t i = 0; i < parts->size; i++) {
        expr_ty part = parts->items[i];
        if (part->kind != JoinedStr_kind) {
            if (!push(p, part)) return NULL;
            continue;
        }
        for (Py_ssize_t k = 0; k < seq_len(part->v.JoinedStr.values); k++)
            if (!push(p, seq_get(part->v.JoinedStr.values, k))) return NULL;
    }
    expr_seq *flat = TAKE(expr, base);
    if (p->failed) return NULL;
    for (Py_ssize_t i = 0, n = seq_len(flat); i < n;) {
        expr_ty part = flat->items[i];
        Py_ssize_t end = i + 1;
        if (part->kind == Constant_kind) {
            while (end < n && flat->items[end]->kind == Constant_kind) end++;
            if (end > i + 1 && !(part = join_constants(p, &flat->items[i], end - i))) return NULL;
            if (formatted && is_empty_text(part)) {
                i = end;
                continue;
            }
        }
        if (!push(p, part)) return NULL;
        i = end;
    }
    expr_seq *values = TAKE(expr, base);
    if (p->failed) return NULL;
    return formatted ? new_joined(p, values, span) : values->items[0];
}

expr_ty parse_strings(Parser *p)
{
    int start = p->mark;
    Py_ssize_t base = p->scratch_top;
    for (int type = at(p); type == STRING || type == FSTRING_START; type = at(p)) {
        expr_ty part;
        if (type == STRING) {
            part = literal_string(p, p->mark);
            p->mark++;
            if (p->mark == start + 1 && part && at(p) != STRING && at(p) != FSTRING_START) return part;       /* nearly always */
        }
        else part = fstring(p);
        if (!part || !push(p, part)) return NULL;
    }
    if (p->failed) return NULL;
    expr_seq *parts = TAKE(expr, base);
    return p->failed ? NULL : literal_concatenate(p, parts, span_from(p, start));
}
