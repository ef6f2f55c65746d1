/* _io._TextIOBase, _io.IncrementalNewlineDecoder, and where lines end. */
#include "io_private.h"

/* ---- line endings ----------------------------------------------------------------------------------------------------------- */

static const char *find_char(int kind, const char *start, const char *end, Py_UCS4 wanted)
{
    if (kind == 1) {
        const char *found = memchr(start, (int)wanted, (size_t)(end - start));
        return found ? found : end;
    }
    if (kind == 2) {
        while (start < end && *(const Py_UCS2 *)start != wanted) start += 2;
        return start;
    }
    while (start < end && *(const Py_UCS4 *)start != wanted) start += 4;
    return start;
}

Py_ssize_t io_find_line_ending(bool translated, bool universal, PyObject *newline, int kind, const char *start, const char *end,
                               Py_ssize_t *consumed)
{
    Py_ssize_t length = (end - start) / kind;
    if (translated) {                                    /* only \n is left */
        const char *at = find_char(kind, start, end, '\n');
        if (at < end) return (at - start) / kind + 1;
        *consumed = length;
        return -1;
    }
    if (universal) {
        for (const char *p = start; p < end; p += kind) {
            Py_UCS4 c = kind == 1 ? *(const Py_UCS1 *)p : kind == 2 ? *(const Py_UCS2 *)p : *(const Py_UCS4 *)p;
            if (c == '\n') return (p - start) / kind + 1;
            if (c != '\r') continue;
            const char *next = p + kind;
            if (next < end && find_char(kind, next, next + kind, '\n') == next) return (next - start) / kind + 1;
            return (next - start) / kind;
        }
        *consumed = length;
        return -1;
    }
    Py_ssize_t n = PyUnicode_GET_LENGTH(newline);
    Py_UCS4 first = PyUnicode_READ_CHAR(newline, 0);
    if (n == 1) {
        const char *at = find_char(kind, start, end, first);
        if (at < end) return (at - start) / kind + 1;
        *consumed = length;
        return -1;
    }
    for (const char *p = start; p < end;) {
        const char *at = find_char(kind, p, end, first);
        if (at + n * kind > end) break;
        Py_ssize_t i = 1;
        while (i < n && find_char(kind, at + i * kind, at + (i + 1) * kind, PyUnicode_READ_CHAR(newline, i)) == at + i * kind) i++;
        if (i == n) return (at - start) / kind + n;
        p = at + kind;
    }
    const char *at = find_char(kind, end - kind < start ? start : end - kind, end, first);
    *consumed = (at - start) / kind;                     /* the first half of a newline may stand at the very end */
    return -1;
}

/* ---- IncrementalNewlineDecoder ------------------------------------------------------------------------------------------------ */

enum { SEEN_CR = 1, SEEN_LF = 2, SEEN_CRLF = 4, SEEN_ALL = 7 };

typedef struct NewlineDecoder {
    PyObject_HEAD
    PyObject *decoder, *errors;
    bool pending_cr, translate;
    unsigned char seen;
} NewlineDecoder;

#define NEWLINE_DECODER(o) ((NewlineDecoder *)(o))

static unsigned seen_in(PyObject *text)
{
    Py_ssize_t n = PyUnicode_GET_LENGTH(text);
    int kind = PyUnicode_KIND(text);
    const void *data = PyUnicode_DATA(text);
    unsigned seen = 0;
    for (Py_ssize_t i = 0; i < n && seen != SEEN_ALL; i++) {
        Py_UCS4 c = PyUnicode_READ(kind, data, i);
        if (c == '\n') seen |= SEEN_LF;
        else if (c == '\r') {
            if (i + 1 < n && PyUnicode_READ(kind, data, i + 1) == '\n') {
                seen |= SEEN_CRLF;
                i++;
            }
            else seen |= SEEN_CR;
        }
    }
    return seen;
}

/* \r\n and \r become \n. New reference. */
static PyObject *translate(PyObject *text)
{
    Py_ssize_t n = PyUnicode_GET_LENGTH(text), to = 0;
    int kind = PyUnicode_KIND(text);
    const void *data = PyUnicode_DATA(text);
    void *out = PyMem_Malloc((size_t)(n * kind) + 1);
    if (!out) return PyErr_NoMemory();
    for (Py_ssize_t i = 0; i < n; i++) {
        Py_UCS4 c = PyUnicode_READ(kind, data, i);
        if (c == '\r') {
            if (i + 1 < n && PyUnicode_READ(kind, data, i + 1) == '\n') i++;
            c = '\n';
        }
        PyUnicode_WRITE(kind, out, to, c);
        to++;
    }
    PyObject *result = PyUnicode_FromKindAndData(kind, out, to);
    PyMem_Free(out);
    return result;
}

static bool has_cr(PyObject *text)
{
    const char *start = PyUnicode_DATA(text), *end = start + PyUnicode_GET_LENGTH(text) * (Py_ssize_t)PyUnicode_KIND(text);
    return find_char((int)PyUnicode_KIND(text), start, end, '\r') < end;
}

PyObject *io_newline_decode(PyObject *self, PyObject *input, int final)
{
    NewlineDecoder *d = NEWLINE_DECODER(self);
    if (!d->decoder) {
        PyErr_SetString(PyExc_ValueError, "IncrementalNewlineDecoder.__init__() not called");
        return NULL;
    }
    PyObject *text;
    if (d->decoder == Py_None) text = Py_NewRef(input);
    else text = PyObject_CallMethod(d->decoder, "decode", "OO", input, final ? Py_True : Py_False);
    if (!text) return NULL;
    if (!PyUnicode_Check(text)) {
        PyErr_Format(PyExc_TypeError, "decoder should return a string result, not '%.200s'", Py_TYPE(text)->tp_name);
        Py_DECREF(text);
        return NULL;
    }
    Py_ssize_t n = PyUnicode_GET_LENGTH(text);
    if (d->pending_cr && (final || n > 0)) {             /* the \r held back last time */
        PyObject *cr = PyUnicode_FromStringAndSize("\r", 1), *joined = cr ? PyUnicode_Concat(cr, text) : NULL;
        Py_XDECREF(cr);
        Py_SETREF(text, joined);
        if (!text) return NULL;
        d->pending_cr = false;
        n++;
    }
    /* A \r at the end may be half of a \r\n: it waits for what follows. */
    if (!final && n > 0 && PyUnicode_READ_CHAR(text, n - 1) == '\r') {
        PyObject *rest = PyUnicode_Substring(text, 0, n - 1);
        Py_SETREF(text, rest);
        if (!text) return NULL;
        d->pending_cr = true;
        n--;
    }
    if (n == 0) return text;
    if (!has_cr(text)) {
        if (!(d->seen & SEEN_LF)) {
            const char *start = PyUnicode_DATA(text), *end = start + n * (Py_ssize_t)PyUnicode_KIND(text);
            if (find_char((int)PyUnicode_KIND(text), start, end, '\n') < end) d->seen |= SEEN_LF;
        }
        return text;
    }
    if (d->seen != SEEN_ALL) d->seen |= (unsigned char)seen_in(text);
    if (d->translate) {
        PyObject *translated = translate(text);
        Py_SETREF(text, translated);
    }
    return text;
}

SIGNATURE(newline_decoder_signature, "IncrementalNewlineDecoder", KEYWORDS, "(decoder, translate, errors='strict')");

static int newline_decoder_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    PyObject *arg[3];
    if (args_bind_tuple(&newline_decoder_signature, args, kwargs, arg) < 0) return -1;
    int translate = PyObject_IsTrue(arg[1]);
    if (translate < 0) return -1;
    PyObject *errors = arg[2] ? Py_NewRef(arg[2]) : PyUnicode_FromString("strict");
    if (!errors) return -1;
    Py_XSETREF(NEWLINE_DECODER(self)->errors, errors);
    Py_XSETREF(NEWLINE_DECODER(self)->decoder, Py_NewRef(arg[0]));
    NEWLINE_DECODER(self)->translate = translate;
    NEWLINE_DECODER(self)->seen = 0;
    NEWLINE_DECODER(self)->pending_cr = false;
    return 0;
}

#define CHECK_READY(self) do { if (!NEWLINE_DECODER(self)->decoder) { PyErr_SetString(PyExc_ValueError, "IncrementalNewlineDecoder.__init__() not called"); return NULL; } } while (0)

BUILTIN(newline_decoder, decode, KEYWORDS, "($self, /, input, final=False)", "")
{
    int final = arg[1] ? PyObject_IsTrue(arg[1]) : 0;
    return final < 0 ? NULL : io_newline_decode(self, arg[0], final);
}

BUILTIN_NOARGS(newline_decoder, getstate, "($self, /)", "")
{
    NewlineDecoder *d = NEWLINE_DECODER(self);
    CHECK_READY(self);
    unsigned long long flag = 0;
    PyObject *buffer = NULL;
    if (d->decoder == Py_None) buffer = PyBytes_FromStringAndSize(NULL, 0);
    else {
        PyObject *state = io_call(d->decoder, "getstate");
        if (!state) return NULL;
        if (!PyTuple_Check(state)) PyErr_SetString(PyExc_TypeError, "illegal decoder state");
        else if (PyArg_ParseTuple(state, "OK;illegal decoder state", &buffer, &flag)) Py_INCREF(buffer);
        else buffer = NULL;
        Py_DECREF(state);
    }
    if (!buffer) return NULL;
    return Py_BuildValue("(NK)", buffer, flag << 1 | d->pending_cr);
}

BUILTIN_O(newline_decoder, setstate, "($self, state, /)", "")
{
    NewlineDecoder *d = NEWLINE_DECODER(self);
    PyObject *buffer;
    unsigned long long flag;
    CHECK_READY(self);
    if (!PyTuple_Check(arg)) return PyErr_Format(PyExc_TypeError, "state argument must be a tuple");
    if (!PyArg_ParseTuple(arg, "OK;setstate(): illegal state argument", &buffer, &flag)) return NULL;
    d->pending_cr = flag & 1;
    if (d->decoder == Py_None) Py_RETURN_NONE;
    return PyObject_CallMethod(d->decoder, "setstate", "((OK))", buffer, flag >> 1);
}

BUILTIN_NOARGS(newline_decoder, reset, "($self, /)", "")
{
    NewlineDecoder *d = NEWLINE_DECODER(self);
    CHECK_READY(self);
    d->seen = 0;
    d->pending_cr = false;
    if (d->decoder == Py_None) Py_RETURN_NONE;
    return io_call(d->decoder, "reset");
}

static PyObject *newline_decoder_newlines(PyObject *self, void *closure)
{
    CHECK_READY(self);
    switch (NEWLINE_DECODER(self)->seen) {
    case SEEN_CR: return PyUnicode_FromString("\r");
    case SEEN_LF: return PyUnicode_FromString("\n");
    case SEEN_CRLF: return PyUnicode_FromString("\r\n");
    case SEEN_CR | SEEN_LF: return Py_BuildValue("ss", "\r", "\n");
    case SEEN_CR | SEEN_CRLF: return Py_BuildValue("ss", "\r", "\r\n");
    case SEEN_LF | SEEN_CRLF: return Py_BuildValue("ss", "\n", "\r\n");
    case SEEN_ALL: return Py_BuildValue("sss", "\r", "\n", "\r\n");
    default: Py_RETURN_NONE;
    }
}

static void newline_decoder_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    Py_CLEAR(NEWLINE_DECODER(self)->decoder);
    Py_CLEAR(NEWLINE_DECODER(self)->errors);
    type->tp_free(self);
    Py_DECREF(type);
}

static int newline_decoder_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(NEWLINE_DECODER(self)->decoder);
    Py_VISIT(NEWLINE_DECODER(self)->errors);
    return 0;
}

static int newline_decoder_clear(PyObject *self)
{
    Py_CLEAR(NEWLINE_DECODER(self)->decoder);
    Py_CLEAR(NEWLINE_DECODER(self)->errors);
    return 0;
}

static PyMethodDef newline_decoder_methods[] = {
    METHOD(newline_decoder, decode), METHOD(newline_decoder, getstate), METHOD(newline_decoder, setstate), METHOD(newline_decoder, reset), { 0 }
};
static PyGetSetDef newline_decoder_getset[] = { { "newlines", newline_decoder_newlines, NULL, NULL, NULL }, { 0 } };

static PyType_Slot newline_decoder_slots[] = {
    { Py_tp_doc, "IncrementalNewlineDecoder(decoder, translate, errors='strict')\n--\n\nCodec used when reading a file in universal newlines mode." },
    { Py_tp_init, newline_decoder_init }, { Py_tp_dealloc, newline_decoder_dealloc }, { Py_tp_traverse, newline_decoder_traverse },
    { Py_tp_clear, newline_decoder_clear }, { Py_tp_methods, newline_decoder_methods }, { Py_tp_getset, newline_decoder_getset }, { 0, NULL }
};

PyType_Spec newline_decoder_spec = {
    "_io.IncrementalNewlineDecoder", sizeof(NewlineDecoder), 0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE, newline_decoder_slots
};

/* ---- _TextIOBase ------------------------------------------------------------------------------------------------------------------ */

#define UNSUPPORTED(name, sig, text) BUILTIN(textiobase, name, KEYWORDS, sig, text) { return io_unsupported(io_state_of(self), #name); }

BUILTIN_NOARGS(textiobase, detach, "($self, /)", "Separate the underlying buffer from the TextIOBase and return it.") { return io_unsupported(io_state_of(self), "detach"); }
UNSUPPORTED(read, "($self, size=-1, /)", "Read at most size characters from stream, until EOF when size is negative or omitted.")
UNSUPPORTED(readline, "($self, size=-1, /)", "Read until newline or EOF.")
UNSUPPORTED(write, "($self, s, /)", "Write string s to stream; return the number of characters written.")

static PyObject *textiobase_none(PyObject *self, void *closure) { Py_RETURN_NONE; }

static PyMethodDef textiobase_methods[] = {
    METHOD_BARE(textiobase, detach), METHOD(textiobase, read), METHOD(textiobase, readline), METHOD(textiobase, write), { 0 }
};
static PyGetSetDef textiobase_getset[] = {
    { "encoding", textiobase_none, NULL, "Encoding of the text stream.", NULL },
    { "newlines", textiobase_none, NULL, "Line endings translated so far.", NULL },
    { "errors", textiobase_none, NULL, "The error setting of the decoder or encoder.", NULL },
    { 0 }
};
static PyType_Slot textiobase_slots[] = {
    { Py_tp_doc, "Base class for text I/O: a character and line based interface to stream I/O." },
    { Py_tp_methods, textiobase_methods }, { Py_tp_getset, textiobase_getset }, { 0, NULL }
};
PyType_Spec text_io_base_spec = {
    "_io._TextIOBase", 0, 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_IMMUTABLETYPE, textiobase_slots
};
