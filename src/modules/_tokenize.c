/* The _tokenize module: the tokenizer as an iterator over what a readline function returns; `tokenize` is built on it. */
#include "syntax/tokenizer.h"
#include "capi/args.h"

typedef struct TokenizerIter {
    PyObject_HEAD
    Tokenizer tok;
    PyObject *readline, *filename;
    PyObject *encoding;                                    /* str when readline returns bytes, else NULL */
    PyObject *last_line;                                   /* the line of the last token, cached */
    int last_lineno;
    bool done, busy, ready;
} TokenizerIter;

/* ---- input ---- */

static int refill(Tokenizer *tok, void *context)
{
    TokenizerIter *it = context;
    PyObject *line = PyObject_CallNoArgs(it->readline);
    if (!line) {
        if (!PyErr_ExceptionMatches(PyExc_StopIteration)) return -1;
        PyErr_Clear();
        return 0;
    }
    if (it->encoding) {
        if (!PyBytes_Check(line)) {
            PyErr_SetString(PyExc_TypeError, "readline() returned a non-bytes object");
            goto error;
        }
        const char *encoding = PyUnicode_AsUTF8(it->encoding);
        Py_SETREF(line, encoding ? PyUnicode_Decode(PyBytes_AS_STRING(line), PyBytes_GET_SIZE(line), encoding, "replace") : NULL);
        if (!line) return -1;
    }
    else if (!PyUnicode_Check(line)) {
        PyErr_SetString(PyExc_TypeError, "readline() returned a non-string object");
        goto error;
    }
    Py_ssize_t length;
    const char *text = PyUnicode_AsUTF8AndSize(line, &length);
    if (!text) goto error;
    if (length) {
        if (tokenizer_feed(tok, text, length) < 0) goto error;
        tok->implicit_newline = text[length - 1] != '\n';
        if (tok->implicit_newline && tokenizer_feed(tok, "\n", 1) < 0) goto error;
    }
    Py_DECREF(line);
    return length > 0;
error:
    Py_XDECREF(line);
    return -1;
}

/* ---- errors ---- */

static void raise_error(TokenizerIter *it)
{
    Tokenizer *tok = &it->tok;
    PyObject *type = PyExc_SyntaxError, *line = NULL, *value = NULL;
    const char *message = "unknown tokenization error";
    switch (tok->done) {
    case DONE_EOF:
        PyErr_SetString(PyExc_SyntaxError, "unexpected EOF in multi-line statement");
        PyErr_SyntaxLocationObject(it->filename, tok->lineno, (int)(tok->inp - tok->token_line));
        return;
    case DONE_DEDENT:
        type = PyExc_IndentationError;
        message = "unindent does not match any outer indentation level";
        break;
    case DONE_TABSPACE:
        type = PyExc_TabError;
        message = "inconsistent use of tabs and spaces in indentation";
        break;
    case DONE_TOO_DEEP:
        type = PyExc_IndentationError;
        message = "too many levels of indentation";
        break;
    case DONE_LINE_CONT: message = "unexpected character after line continuation character"; break;
    case DONE_COLUMN_OVERFLOW:
        PyErr_SetString(PyExc_OverflowError, "Parser column offset overflow - source line is too big");
        return;
    default: break;
    }
    bool newline = tok->inp > tok->token_line && tok->inp[-1] == '\n';        /* counted, but not shown */
    if ((line = PyUnicode_DecodeUTF8(tok->token_line, tok->inp - tok->token_line - newline, "replace")))
        value = Py_BuildValue("(s(OinOOO))", message, it->filename, tok->lineno, PyUnicode_GET_LENGTH(line) + newline, line, Py_None,
                              Py_None);
    if (value) PyErr_SetObject(type, value);
    Py_XDECREF(line);
    Py_XDECREF(value);
}

/* ---- tokens ---- */

/* How many characters the bytes from start to end are; most lines are ASCII. */
static Py_ssize_t count_characters(const char *start, const char *end)
{
    Py_ssize_t count = 0;
    for (; start < end; start++) count += (*start & 0xc0) != 0x80;
    return count;
}

static bool is_string(int type) { return type == STRING || (type >= FSTRING_START && type <= FSTRING_END); }

/* The text of the token's line, or lines; borrowed from the iterator. */
static PyObject *line_of_token(TokenizerIter *it, const char *line_start)
{
    Tokenizer *tok = &it->tok;
    if (tok->lineno != it->last_lineno || !it->last_line) {
        Py_ssize_t size = tok->inp - line_start;
        if (size >= 1 && tok->implicit_newline) size--;
        if (tok->done == DONE_EOF) size = 0;               /* behind the last line there is none */
        Py_XSETREF(it->last_line, PyUnicode_DecodeUTF8(line_start, size, "replace"));
    }
    return it->last_line;
}

static PyObject *next_token(TokenizerIter *it)
{
    Tokenizer *tok = &it->tok;
    Token t;
    int type = tokenizer_next(tok, &t);
    if (type == ERRORTOKEN) {
        if (!PyErr_Occurred()) raise_error(it);
        return NULL;
    }
    if (it->done || (type == ENDMARKER && !tok->lineno && !tok->extra_tokens)) {              /* nothing at all: no end either */
        PyErr_SetString(PyExc_StopIteration, "EOF");
        return NULL;
    }
    const char *start = tok->text + t.start, *end = tok->text + t.end;
    bool trailing = type == ENDMARKER || (type == DEDENT && tok->done == DONE_EOF), placed = t.col != -1;
    const char *line_start = tok->line_start;
    if (is_string(type)) line_start = start - t.col;
    PyObject *line, *empty = NULL;
    if (trailing && tok->extra_tokens) line = empty = PyUnicode_FromString("");
    else line = line_of_token(it, line_start);
    PyObject *text = line ? PyUnicode_DecodeUTF8(start, end - start, NULL) : NULL;
    if (!text) {
        Py_XDECREF(empty);
        return NULL;
    }
    int lineno = t.lineno, end_lineno = t.end_lineno;
    it->last_lineno = lineno;
    Py_ssize_t col = placed ? count_characters(line_start, start) : -1;
    Py_ssize_t end_col = placed ? count_characters(tok->line_start, end) : -1;
    if (tok->extra_tokens) {
        if (trailing) {
            lineno = end_lineno = lineno + 1;
            col = end_col = 0;
        }
        if (type > DEDENT && type < OP) type = OP;
        else if (type == NEWLINE) {
            if (!tok->implicit_newline) Py_SETREF(text, PyUnicode_FromString(*start == '\r' ? "\r\n" : "\n"));
            end_col++;
        }
        else if (type == NL && tok->implicit_newline) Py_SETREF(text, PyUnicode_FromString(""));
    }
    if (type == ENDMARKER) it->done = true;
    PyObject *result = text ? Py_BuildValue("(iN(in)(in)O)", type, text, lineno, col, end_lineno, end_col, line) : NULL;
    Py_XDECREF(empty);
    return result;
}

static PyObject *iter_next(TokenizerIter *it)
{
    if (!it->ready || it->busy) {                          /* readline called next() again */
        PyErr_SetString(PyExc_ValueError, "generator already executing");
        return NULL;
    }
    it->busy = true;
    PyObject *result = next_token(it);
    it->busy = false;
    return result;
}

/* ---- the type ---- */

SIGNATURE(iter_new_signature, "tokenizeriter", KEYWORDS, "(readline, /, *, extra_tokens, encoding='utf-8')");

static PyObject *iter_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *arg[3];
    if (args_bind_tuple(&iter_new_signature, args, kwargs, arg) < 0) return NULL;
    int extra = PyObject_IsTrue(arg[1]);
    if (extra < 0) return NULL;
    if (arg[2] && !PyUnicode_Check(arg[2])) {
        PyErr_Format(PyExc_TypeError, "tokenizeriter() argument 'encoding' must be str, not %.50s", Py_TYPE(arg[2])->tp_name);
        return NULL;
    }
    TokenizerIter *it = (TokenizerIter *)type->tp_alloc(type, 0);
    if (!it) return NULL;
    it->filename = PyUnicode_FromString("<string>");
    if (!it->filename || tokenizer_init(&it->tok, NULL, 0, it->filename) < 0) {
        Py_DECREF(it);
        return NULL;
    }
    it->readline = Py_NewRef(arg[0]);
    it->encoding = Py_XNewRef(arg[2]);
    it->tok.refill = refill;
    it->tok.context = it;
    it->tok.extra_tokens = extra;
    it->ready = true;
    return (PyObject *)it;
}

static int iter_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((TokenizerIter *)self)->readline);
    return 0;
}

static int iter_clear(PyObject *self)
{
    Py_CLEAR(((TokenizerIter *)self)->readline);
    ((TokenizerIter *)self)->ready = false;
    return 0;
}

static void iter_dealloc(PyObject *self)
{
    TokenizerIter *it = (TokenizerIter *)self;
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    iter_clear(self);
    tokenizer_clear(&it->tok);
    Py_XDECREF(it->filename);
    Py_XDECREF(it->encoding);
    Py_XDECREF(it->last_line);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyType_Slot iter_slots[] = {
    { Py_tp_new, iter_new }, { Py_tp_dealloc, iter_dealloc }, { Py_tp_traverse, iter_traverse }, { Py_tp_clear, iter_clear },
    { Py_tp_getattro, PyObject_GenericGetAttr }, { Py_tp_iter, PyObject_SelfIter }, { Py_tp_iternext, iter_next }, { 0, NULL }
};
static PyType_Spec iter_spec = {
    "_tokenize.TokenizerIter", sizeof(TokenizerIter), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_HAVE_GC, iter_slots
};

/* ---- the module ---- */

static int tokenize_exec(PyObject *module)
{
    PyObject *type = PyType_FromModuleAndSpec(module, &iter_spec, NULL);
    int status = type ? PyModule_AddObjectRef(module, "TokenizerIter", type) : -1;
    Py_XDECREF(type);
    return status;
}

static PyModuleDef_Slot tokenize_slots[] = {
    { Py_mod_exec, tokenize_exec },
    { Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED },
    { Py_mod_gil, Py_MOD_GIL_NOT_USED },
    { 0, NULL }
};
static struct PyModuleDef tokenize_module = { PyModuleDef_HEAD_INIT, .m_name = "_tokenize", .m_slots = tokenize_slots };

PyMODINIT_FUNC PyInit__tokenize(void) { return PyModuleDef_Init(&tokenize_module); }
