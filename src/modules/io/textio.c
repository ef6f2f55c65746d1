/* _io.TextIOWrapper: characters over a buffered binary stream.
 *
 * Reading: chunks of bytes are decoded into `decoded`, of which `used` characters were handed out. Writing: encoded pieces
 * wait in `pending` (a list) until there are chunk_size bytes of them.
 *
 * Invariant for tell(): while `telling`, `snapshot` is (flags, bytes) so that setting the decoder to (b"", flags) and
 * decoding bytes gives exactly `decoded`. A cookie packs the position of that snapshot, the flags, how many bytes to feed
 * and how many characters of the result to skip. */
#include "io_private.h"

#include "objects/codecs.h"

#include <langinfo.h>

typedef struct TextIo {
    IO_HEAD
    PyObject *buffer;                         /* NULL: detached */
    PyObject *encoding, *encoder, *decoder, *readnl, *errors, *write_newline;
    PyObject *decoded, *snapshot;
    Py_ssize_t used;                          /* characters of decoded that were read */
    PyObject *pending;                        /* list of bytes, or NULL */
    Py_ssize_t pending_bytes;
    Py_ssize_t chunk_size;
    double b2c_ratio;                         /* bytes a character, from the last chunk */
    bool ok, detached, line_buffering, write_through, read_universal, read_translate, write_translate, seekable, has_read1, telling,
        finalizing, encoding_start_of_stream;
    enum { ENCODE_OTHER, ENCODE_ASCII, ENCODE_LATIN1, ENCODE_UTF8 } fast;   /* encoders that need no call */
    bool strict;                              /* errors is "strict": fast applies to everything */
} TextIo;

#define TEXT_IO(o) ((TextIo *)(o))

#define CHECK_ATTACHED(self, fail)                                                                                      \
    do {                                                                                                                \
        if (UNLIKELY(!(self)->ok || !(self)->buffer)) {                                                                 \
            PyErr_SetString(PyExc_ValueError, (self)->detached ? "underlying buffer has been detached" : "I/O operation on uninitialized object"); \
            return fail;                                                                                                \
        }                                                                                                               \
    } while (0)

static int check_closed(TextIo *self)
{
    CHECK_ATTACHED(self, -1);
    int closed = io_truth(PyObject_GetAttrString(self->buffer, "closed"));
    if (closed > 0) io_error_closed();
    return closed ? -1 : 0;
}

#define CHECK_CLOSED(self) do { if (check_closed(self) < 0) return NULL; } while (0)

/* ---- codecs --------------------------------------------------------------------------------------------------------------- */

static PyObject *codec_method(PyObject *info, const char *name, PyObject *errors)
{
    PyObject *factory = PyObject_GetAttrString(info, name);
    if (!factory) return NULL;
    PyObject *codec = PyObject_CallOneArg(factory, errors);
    Py_DECREF(factory);
    return codec;
}

static int set_decoder(TextIo *self, PyObject *info, PyObject *errors)
{
    int readable = io_truth(io_call(self->buffer, "readable"));
    if (readable <= 0) return readable;
    Py_CLEAR(self->decoder);
    if (!(self->decoder = codec_method(info, "incrementaldecoder", errors))) return -1;
    if (self->read_universal) {
        PyObject *wrapped = PyObject_CallFunctionObjArgs((PyObject *)io_state_of(OBJECT(self))->newline_decoder, self->decoder,
                                                         self->read_translate ? Py_True : Py_False, NULL);
        if (!wrapped) return -1;
        Py_SETREF(self->decoder, wrapped);
    }
    return 0;
}

static int set_encoder(TextIo *self, PyObject *info, PyObject *errors)
{
    int writable = io_truth(io_call(self->buffer, "writable"));
    if (writable <= 0) return writable;
    Py_CLEAR(self->encoder);
    self->fast = ENCODE_OTHER;
    if (!(self->encoder = codec_method(info, "incrementalencoder", errors))) return -1;
    PyObject *name;
    if (PyObject_GetOptionalAttrString(info, "name", &name) < 0) return -1;
    if (name && PyUnicode_Check(name)) {
        if (PyUnicode_CompareWithASCIIString(name, "utf-8") == 0) self->fast = ENCODE_UTF8;
        else if (PyUnicode_CompareWithASCIIString(name, "ascii") == 0) self->fast = ENCODE_ASCII;
        else if (PyUnicode_CompareWithASCIIString(name, "iso8859-1") == 0) self->fast = ENCODE_LATIN1;
    }
    Py_XDECREF(name);
    self->strict = PyUnicode_CompareWithASCIIString(errors, "strict") == 0;
    return 0;
}

static int reset_encoder(TextIo *self, bool start)
{
    PyObject *result = start ? io_call(self->encoder, "reset") : PyObject_CallMethod(self->encoder, "setstate", "i", 0);
    Py_XDECREF(result);
    return result ? 0 : -1;
}

/* Appending after a BOM must not write another one. */
static int fix_encoder_state(TextIo *self)
{
    if (!self->seekable || !self->encoder) return 0;
    self->encoding_start_of_stream = true;
    PyObject *at = io_call(self->buffer, "tell");
    if (!at) return -1;
    int somewhere = io_truth(at);
    if (somewhere > 0) {
        self->encoding_start_of_stream = false;
        return reset_encoder(self, false);
    }
    return somewhere;
}

static int set_newline(TextIo *self, const char *newline)
{
    Py_CLEAR(self->readnl);
    Py_CLEAR(self->write_newline);
    if (newline && !(self->readnl = PyUnicode_FromString(newline))) return -1;
    self->read_universal = !newline || !newline[0];
    self->read_translate = !newline;
    self->write_translate = !newline || newline[0];
    if (newline && newline[0] == '\r') self->write_newline = Py_NewRef(self->readnl);
    return 0;
}

static int newline_argument(PyObject *value, const char **newline)
{
    *newline = NULL;
    if (!value || value == Py_None) return 0;
    if (!PyUnicode_Check(value)) {
        PyErr_Format(PyExc_TypeError, "TextIOWrapper() argument 'newline' must be str or None, not %T", value);
        return -1;
    }
    if (!(*newline = PyUnicode_AsUTF8(value))) return -1;
    const char *n = *newline;
    if (strlen(n) == (size_t)PyUnicode_GET_LENGTH(value) && (!n[0] || !strcmp(n, "\n") || !strcmp(n, "\r") || !strcmp(n, "\r\n"))) return 0;
    PyErr_Format(PyExc_ValueError, "illegal newline value: %s", n);
    return -1;
}

/* Without importing _locale: streams are also made while the interpreter shuts down. */
static PyObject *locale_encoding(void)
{
    const char *codeset = nl_langinfo(CODESET);
    return codeset && *codeset ? PyUnicode_DecodeLocale(codeset, "surrogateescape") : PyUnicode_FromString("utf-8");
}

static PyObject *lookup_text_codec(PyObject *encoding)
{
    const char *name = PyUnicode_AsUTF8(encoding);
    return name ? codec_lookup_text(name, "codecs.open()") : NULL;
}

/* ---- life -------------------------------------------------------------------------------------------------------------------- */

static int textio_clear(PyObject *o)
{
    TextIo *self = TEXT_IO(o);
    self->ok = false;
    Py_CLEAR(self->buffer);
    Py_CLEAR(self->encoding);
    Py_CLEAR(self->encoder);
    Py_CLEAR(self->decoder);
    Py_CLEAR(self->readnl);
    Py_CLEAR(self->write_newline);
    Py_CLEAR(self->decoded);
    Py_CLEAR(self->snapshot);
    Py_CLEAR(self->errors);
    Py_CLEAR(self->pending);
    Py_CLEAR(self->dict);
    return 0;
}

SIGNATURE(textio_signature, "TextIOWrapper", KEYWORDS,
          "(buffer, encoding=None, errors=None, newline=None, line_buffering=False, write_through=False)");

static int string_argument(PyObject *value, const char *name)
{
    if (!value || value == Py_None) return 0;
    if (!PyUnicode_Check(value)) {
        PyErr_Format(PyExc_TypeError, "TextIOWrapper() argument '%s' must be str or None, not %T", name, value);
        return -1;
    }
    const char *text = PyUnicode_AsUTF8(value);
    if (!text) return -1;
    if (strlen(text) != (size_t)PyUnicode_GET_LENGTH(value)) {
        PyErr_SetString(PyExc_ValueError, "embedded null character");
        return -1;
    }
    return 0;
}

static int check_errors_handler(PyObject *errors)
{
    PyObject *flags = PySys_GetObject("flags");
    if (!flags || io_truth(PyObject_GetAttrString(flags, "dev_mode")) <= 0) return PyErr_Occurred() ? -1 : 0;
    const char *name = PyUnicode_AsUTF8(errors);
    PyObject *handler = name ? PyCodec_LookupError(name) : NULL;
    Py_XDECREF(handler);
    return handler ? 0 : -1;
}

static int textio_init(PyObject *o, PyObject *args, PyObject *kwargs)
{
    TextIo *self = TEXT_IO(o);
    PyObject *arg[6], *info = NULL, *encoding = NULL, *errors = NULL;
    const char *newline;
    int line_buffering, write_through, status = -1;
    self->ok = self->detached = false;
    if (args_bind_tuple(&textio_signature, args, kwargs, arg) < 0) return -1;
    if (string_argument(arg[1], "encoding") < 0) return -1;
    if (arg[2] && arg[2] != Py_None && !PyUnicode_Check(arg[2])) {
        PyErr_Format(PyExc_TypeError, "TextIOWrapper() argument 'errors' must be str or None, not %.50s", Py_TYPE(arg[2])->tp_name);
        return -1;
    }
    if (string_argument(arg[2], "errors") < 0) return -1;
    if (newline_argument(arg[3], &newline) < 0) return -1;
    if ((line_buffering = arg[4] ? PyObject_IsTrue(arg[4]) : 0) < 0 || (write_through = arg[5] ? PyObject_IsTrue(arg[5]) : 0) < 0) return -1;
    PyObject *buffer = Py_NewRef(arg[0]), *given = Py_XNewRef(arg[1]), *dict = self->dict;
    errors = arg[2] && arg[2] != Py_None ? Py_NewRef(arg[2]) : PyUnicode_FromString("strict");
    self->dict = NULL;
    textio_clear(o);
    self->dict = dict;
    self->buffer = buffer;
    self->used = self->pending_bytes = 0;
    self->telling = self->seekable = self->has_read1 = self->encoding_start_of_stream = false;
    self->b2c_ratio = 0.0;

    encoding = io_text_encoding(given ? given : Py_None, 1);
    Py_XDECREF(given);
    if (!encoding) goto fail;
    if (PyUnicode_CompareWithASCIIString(encoding, "locale") == 0) {
        Py_SETREF(encoding, locale_encoding());
        if (!encoding) goto fail;
    }
    if (!errors || check_errors_handler(errors) < 0) goto fail;
    if (!(info = lookup_text_codec(encoding))) goto fail;
    self->chunk_size = SMALL_CHUNK;
    self->line_buffering = line_buffering;
    self->write_through = write_through;
    if (set_newline(self, newline) < 0 || set_decoder(self, info, errors) < 0 || set_encoder(self, info, errors) < 0) goto fail;
    Py_XSETREF(self->encoding, Py_NewRef(encoding));
    Py_XSETREF(self->errors, Py_NewRef(errors));
    int seekable = io_truth(io_call(self->buffer, "seekable"));
    if (seekable < 0) goto fail;
    self->seekable = self->telling = seekable;
    PyObject *read1;
    if (!self->buffer) io_error_closed();
    if (!self->buffer || PyObject_GetOptionalAttrString(self->buffer, "read1", &read1) < 0) goto fail;
    self->has_read1 = read1 != NULL;
    Py_XDECREF(read1);
    if (fix_encoder_state(self) < 0) goto fail;
    self->ok = self->buffer && self->encoding && self->errors;    /* what was called may have called __init__ again, in vain */
    status = 0;
fail:
    Py_XDECREF(info);
    Py_XDECREF(encoding);
    Py_XDECREF(errors);
    return status;
}

static void textio_dealloc(PyObject *o)
{
    PyTypeObject *type = Py_TYPE(o);
    TEXT_IO(o)->finalizing = true;
    if (PyObject_CallFinalizerFromDealloc(o) < 0) return;
    TEXT_IO(o)->ok = false;
    PyObject_GC_UnTrack(o);
    if (TEXT_IO(o)->weakrefs) PyObject_ClearWeakRefs(o);
    textio_clear(o);
    type->tp_free(o);
    Py_DECREF(type);
}

static int textio_traverse(PyObject *o, visitproc visit, void *arg)
{
    TextIo *self = TEXT_IO(o);
    Py_VISIT(Py_TYPE(o));
    Py_VISIT(self->buffer);
    Py_VISIT(self->encoder);
    Py_VISIT(self->decoder);
    Py_VISIT(self->decoded);
    Py_VISIT(self->snapshot);
    Py_VISIT(self->pending);
    Py_VISIT(self->dict);
    return 0;
}

/* ---- writing ------------------------------------------------------------------------------------------------------------------- */

static int write_pending(TextIo *self)
{
    if (!self->pending) return 0;
    PyObject *pending = self->pending, *bytes;
    self->pending = NULL;
    self->pending_bytes = 0;
    if (PyList_GET_SIZE(pending) == 1) bytes = Py_NewRef(PyList_GET_ITEM(pending, 0));
    else {
        PyObject *empty = PyBytes_FromStringAndSize(NULL, 0);
        bytes = empty ? io_call1(empty, "join", pending) : NULL;
        Py_XDECREF(empty);
    }
    Py_DECREF(pending);
    if (!bytes) return -1;
    PyObject *result;
    do result = io_call1(self->buffer, "write", bytes);
    while (!result && io_trap_eintr());
    Py_DECREF(bytes);
    Py_XDECREF(result);
    return result ? 0 : -1;
}

static PyObject *encode(TextIo *self, PyObject *text)
{
    if (self->fast != ENCODE_OTHER && PyUnicode_IS_ASCII(text))
        return PyBytes_FromStringAndSize(PyUnicode_DATA(text), PyUnicode_GET_LENGTH(text));
    if (self->fast != ENCODE_UTF8) return io_call1(self->encoder, "encode", text);
    PyObject *errors = Py_NewRef(self->errors);         /* an error handler may reconfigure us */
    PyObject *bytes = PyUnicode_AsEncodedString(text, "utf-8", PyUnicode_AsUTF8(errors));
    Py_DECREF(errors);
    return bytes;
}

static void set_decoded(TextIo *self, PyObject *text)
{
    Py_XSETREF(self->decoded, text);
    self->used = 0;
}

BUILTIN_O(textio, write, "($self, text, /)", "Write text, a str, and return the number of its characters.")
{
    TextIo *io = TEXT_IO(self);
    CHECK_ATTACHED(io, NULL);
    if (!PyUnicode_Check(arg)) return PyErr_Format(PyExc_TypeError, "write() argument must be str, not %T", arg);
    CHECK_CLOSED(io);
    if (!io->encoder) return io_unsupported(io_state_of(self), "not writable");
    PyObject *text = Py_NewRef(arg);
    Py_ssize_t length = PyUnicode_GET_LENGTH(text);
    bool has_lf = false, must_flush = false, text_needs_flush = io->write_through;
    if ((io->write_translate && io->write_newline) || io->line_buffering) has_lf = PyUnicode_FindChar(text, '\n', 0, length, 1) >= 0;
    bool has_cr = io->line_buffering && !has_lf && PyUnicode_FindChar(text, '\r', 0, length, 1) >= 0;
    if (has_lf && io->write_translate && io->write_newline) {
        PyObject *lf = PyUnicode_FromStringAndSize("\n", 1), *translated = lf ? PyUnicode_Replace(text, lf, io->write_newline, -1) : NULL;
        Py_XDECREF(lf);
        Py_SETREF(text, translated);
        if (!text) return NULL;
    }
    if (io->line_buffering && (has_lf || has_cr)) must_flush = true;
    PyObject *bytes = encode(io, text);
    Py_DECREF(text);
    if (!bytes) return NULL;
    if (!PyBytes_Check(bytes)) {
        PyErr_Format(PyExc_TypeError, "encoder should return a bytes object, not '%.200s'", Py_TYPE(bytes)->tp_name);
        Py_DECREF(bytes);
        return NULL;
    }
    Py_ssize_t n = PyBytes_GET_SIZE(bytes);
    /* A long text does not wait together with others: that would copy it. */
    while (n >= io->chunk_size && io->pending) {           /* writing may call back and leave more to write */
        if (write_pending(io) == 0) continue;
        Py_DECREF(bytes);
        return NULL;
    }
    if (!io->pending && !(io->pending = PyList_New(0))) {
        Py_DECREF(bytes);
        return NULL;
    }
    int status = PyList_Append(io->pending, bytes);
    Py_DECREF(bytes);
    if (status < 0) return NULL;
    io->pending_bytes += n;
    if ((io->pending_bytes >= io->chunk_size || must_flush || text_needs_flush) && write_pending(io) < 0) return NULL;
    if (must_flush) {
        PyObject *flushed = io_call(io->buffer, "flush");
        if (!flushed) return NULL;
        Py_DECREF(flushed);
    }
    if (io->snapshot) {
        set_decoded(io, NULL);
        Py_CLEAR(io->snapshot);
    }
    if (io->decoder) {
        PyObject *reset = io_call(io->decoder, "reset");
        if (!reset) return NULL;
        Py_DECREF(reset);
    }
    return PyLong_FromSsize_t(length);
}

/* ---- reading -------------------------------------------------------------------------------------------------------------------- */

/* Up to n characters of what is decoded, all with n < 0. New reference. */
static PyObject *take_decoded(TextIo *self, Py_ssize_t n)
{
    if (!self->decoded) return PyUnicode_FromStringAndSize(NULL, 0);
    Py_ssize_t available = PyUnicode_GET_LENGTH(self->decoded) - self->used;
    if (n < 0 || n > available) n = available;
    PyObject *text = self->used > 0 || n < available ? PyUnicode_Substring(self->decoded, self->used, self->used + n) : Py_NewRef(self->decoded);
    if (text) self->used += n;
    return text;
}

static PyObject *decode_bytes(TextIo *self, PyObject *input, int final)
{
    if (!self->decoder) return io_unsupported(io_state_of(OBJECT(self)), "not readable");
    PyObject *decoder = Py_NewRef(self->decoder), *text;    /* what it calls may replace it */
    bool ours = Py_IS_TYPE(decoder, io_state_of(OBJECT(self))->newline_decoder);
    text = ours ? io_newline_decode(decoder, input, final) : PyObject_CallMethod(decoder, "decode", "OO", input, final ? Py_True : Py_False);
    Py_DECREF(decoder);
    if (text && !PyUnicode_Check(text)) {
        PyErr_Format(PyExc_TypeError, "decoder should return a string result, not '%.200s'", Py_TYPE(text)->tp_name);
        Py_CLEAR(text);
    }
    return text;
}

/* The decoder's state before a chunk: (bytes it holds, flags), both borrowed from *state. 0 or -1. */
static int decoder_state(TextIo *self, PyObject **state, PyObject **held, PyObject **flags)
{
    if (!(*state = io_call(self->decoder, "getstate"))) return -1;
    if (!PyTuple_Check(*state) || !PyArg_ParseTuple(*state, "OO;illegal decoder state", held, flags)) {
        if (!PyErr_Occurred()) PyErr_SetString(PyExc_TypeError, "illegal decoder state");
        Py_CLEAR(*state);
        return -1;
    }
    if (!PyBytes_Check(*held)) {
        PyErr_Format(PyExc_TypeError, "illegal decoder state: the first item should be a bytes object, not '%.200s'", Py_TYPE(*held)->tp_name);
        Py_CLEAR(*state);
        return -1;
    }
    return 0;
}

/* Decodes another chunk. 1, 0 at the end, -1 with an exception. */
static int read_chunk(TextIo *self, Py_ssize_t hint)
{
    PyObject *state = NULL, *held = NULL, *flags = NULL, *input = NULL, *size;
    int result = -1;
    if (!self->decoder) {
        io_unsupported(io_state_of(OBJECT(self)), "not readable");
        return -1;
    }
    if (self->telling && decoder_state(self, &state, &held, &flags) < 0) return -1;
    if (hint > 0) hint = (Py_ssize_t)((self->b2c_ratio > 1.0 ? self->b2c_ratio : 1.0) * (double)hint);
    if (!(size = PyLong_FromSsize_t(hint > self->chunk_size ? hint : self->chunk_size))) goto done;
    do input = io_call1(self->buffer, self->has_read1 ? "read1" : "read", size);
    while (!input && io_trap_eintr());
    Py_DECREF(size);
    if (!input) goto done;
    Py_buffer view;
    if (PyObject_GetBuffer(input, &view, PyBUF_SIMPLE) < 0) {
        PyErr_Format(PyExc_TypeError, "underlying %s() should have returned a bytes-like object, not '%.200s'",
                     self->has_read1 ? "read1" : "read", Py_TYPE(input)->tp_name);
        goto done;
    }
    Py_ssize_t nbytes = view.len;
    PyBuffer_Release(&view);
    PyObject *text = decode_bytes(self, input, nbytes == 0);
    if (!text) goto done;
    set_decoded(self, text);
    Py_ssize_t nchars = PyUnicode_GET_LENGTH(text);
    self->b2c_ratio = nchars > 0 ? (double)nbytes / (double)nchars : 0.0;
    bool eof = nbytes == 0 && nchars == 0;
    if (self->telling) {
        PyObject *next = Py_NewRef(held);
        if (PyBytes_GET_SIZE(held) == 0 && PyBytes_CheckExact(input)) Py_SETREF(next, Py_NewRef(input));
        else {
            PyObject *plain = PyBytes_FromObject(input);
            if (plain) PyBytes_ConcatAndDel(&next, plain);
            else Py_CLEAR(next);
        }
        PyObject *snapshot = next ? Py_BuildValue("(ON)", flags, next) : NULL;
        if (!snapshot) goto done;
        Py_XSETREF(self->snapshot, snapshot);
    }
    result = !eof;
done:
    Py_XDECREF(input);
    Py_XDECREF(state);
    return result;
}

BUILTIN(textio, read, POSITIONAL, "($self, size=-1, /)", "")
{
    TextIo *io = TEXT_IO(self);
    Py_ssize_t n = -1;
    CHECK_ATTACHED(io, NULL);
    if (io_optional_size(arg[0], &n) < 0) return NULL;
    CHECK_CLOSED(io);
    if (!io->decoder) return io_unsupported(io_state_of(self), "not readable");
    if (write_pending(io) < 0) return NULL;
    if (n < 0) {
        PyObject *bytes = io_call(io->buffer, "read"), *text, *result;
        if (!bytes) return NULL;
        if (bytes == Py_None) {
            Py_DECREF(bytes);
            PyErr_SetString(PyExc_BlockingIOError, "Read returned None.");
            return NULL;
        }
        text = decode_bytes(io, bytes, 1);
        Py_DECREF(bytes);
        if (!text || !(result = take_decoded(io, -1))) {
            Py_XDECREF(text);
            return NULL;
        }
        if (PyUnicode_GET_LENGTH(result) == 0) Py_SETREF(result, Py_NewRef(text));
        else PyUnicode_Append(&result, text);
        Py_DECREF(text);
        if (io->snapshot) {
            set_decoded(io, NULL);
            Py_CLEAR(io->snapshot);
        }
        else set_decoded(io, NULL);
        return result;
    }
    PyObject *result = take_decoded(io, n);
    if (!result) return NULL;
    Py_ssize_t remaining = n - PyUnicode_GET_LENGTH(result);
    PyObject *chunks = NULL;
    while (remaining > 0) {
        int status = read_chunk(io, remaining);
        if (status < 0) {
            if (io_trap_eintr()) continue;
            goto fail;
        }
        if (status == 0) break;
        if (!chunks && !(chunks = PyList_New(0))) goto fail;
        if (PyUnicode_GET_LENGTH(result) > 0 && PyList_Append(chunks, result) < 0) goto fail;
        Py_SETREF(result, take_decoded(io, remaining));
        if (!result) goto fail;
        remaining -= PyUnicode_GET_LENGTH(result);
    }
    if (chunks) {
        if (PyList_Append(chunks, result) < 0) goto fail;
        PyObject *empty = PyUnicode_FromStringAndSize(NULL, 0), *joined = empty ? PyUnicode_Join(empty, chunks) : NULL;
        Py_XDECREF(empty);
        Py_SETREF(result, joined);
        Py_DECREF(chunks);
    }
    return result;
fail:
    Py_XDECREF(result);
    Py_XDECREF(chunks);
    return NULL;
}

/* The next line, empty at the end. Pieces that span chunks are collected and joined once. */
static PyObject *read_line(TextIo *self, Py_ssize_t limit)
{
    PyObject *chunks = NULL, *line = NULL, *remaining = NULL, *result = NULL;
    Py_ssize_t collected = 0, start = 0, end = 0;
    CHECK_CLOSED(self);
    if (write_pending(self) < 0) return NULL;
    for (;;) {
        int status = 1;
        while (!self->decoded || PyUnicode_GET_LENGTH(self->decoded) == self->used) {
            status = read_chunk(self, 0);
            if (status < 0) {
                if (io_trap_eintr()) continue;
                goto fail;
            }
            if (status == 0) break;
        }
        if (status == 0) {                                /* end of file */
            set_decoded(self, NULL);
            Py_CLEAR(self->snapshot);
            start = end = 0;
            break;
        }
        if (remaining) {                                  /* half a newline was left over */
            line = PyUnicode_Concat(remaining, self->decoded);
            start = 0;
            if (!line) goto fail;
        }
        else {
            line = Py_NewRef(self->decoded);
            start = self->used;
        }
        Py_ssize_t offset = remaining ? PyUnicode_GET_LENGTH(remaining) : 0;
        Py_CLEAR(remaining);
        Py_ssize_t length = PyUnicode_GET_LENGTH(line), consumed;
        int kind = (int)PyUnicode_KIND(line);
        const char *data = PyUnicode_DATA(line);
        end = io_find_line_ending(self->read_translate, self->read_universal, self->readnl, kind, data + start * kind, data + length * kind,
                                  &consumed);
        if (end >= 0) {
            end += start;
            if (limit >= 0 && end - start + collected >= limit) end = start + limit - collected;
            self->used = end - offset;
            break;
        }
        end = start + consumed;
        if (limit >= 0 && end - start + collected >= limit) {
            end = start + limit - collected;
            self->used = end - offset;
            break;
        }
        if (end > start) {
            PyObject *part = PyUnicode_Substring(line, start, end);
            if (!part || (!chunks && !(chunks = PyList_New(0))) || PyList_Append(chunks, part) < 0) {
                Py_XDECREF(part);
                goto fail;
            }
            collected += PyUnicode_GET_LENGTH(part);
            Py_DECREF(part);
        }
        if (end < length) {
            remaining = PyUnicode_Substring(line, end, length);
            if (!remaining) goto fail;
        }
        Py_CLEAR(line);
        set_decoded(self, NULL);
    }
    if (line) {
        result = start == 0 && end == PyUnicode_GET_LENGTH(line) ? Py_NewRef(line) : PyUnicode_Substring(line, start, end);
        Py_CLEAR(line);
        if (!result) goto fail;
    }
    if (remaining) {
        if ((!chunks && !(chunks = PyList_New(0))) || PyList_Append(chunks, remaining) < 0) goto fail;
        Py_CLEAR(remaining);
    }
    if (chunks) {
        if (result && PyList_Append(chunks, result) < 0) goto fail;
        PyObject *empty = PyUnicode_FromStringAndSize(NULL, 0);
        Py_XSETREF(result, empty ? PyUnicode_Join(empty, chunks) : NULL);
        Py_XDECREF(empty);
        Py_DECREF(chunks);
        return result;
    }
    return result ? result : PyUnicode_FromStringAndSize(NULL, 0);
fail:
    Py_XDECREF(line);
    Py_XDECREF(result);
    Py_XDECREF(remaining);
    Py_XDECREF(chunks);
    return NULL;
}

BUILTIN(textio, readline, POSITIONAL, "($self, size=-1, /)", "")
{
    Py_ssize_t limit = -1;
    CHECK_ATTACHED(TEXT_IO(self), NULL);
    if (arg[0]) {
        limit = PyNumber_AsSsize_t(arg[0], PyExc_OverflowError);
        if (limit == -1 && PyErr_Occurred()) return NULL;
    }
    return read_line(TEXT_IO(self), limit);
}

static PyObject *textio_next(PyObject *self)
{
    TextIo *io = TEXT_IO(self);
    CHECK_ATTACHED(io, NULL);
    io->telling = false;                                  /* positions are not kept while iterating: they would cost too much */
    PyObject *line;
    if (Py_IS_TYPE(self, io_state_of(self)->text_io_wrapper)) line = read_line(io, -1);
    else {
        line = io_call(self, "readline");
        if (line && !PyUnicode_Check(line)) {
            PyErr_Format(PyExc_OSError, "readline() should have returned a str object, not '%.200s'", Py_TYPE(line)->tp_name);
            Py_CLEAR(line);
        }
    }
    if (!line) return NULL;
    if (PyUnicode_GET_LENGTH(line) == 0) {
        Py_CLEAR(line);
        Py_CLEAR(io->snapshot);
        io->telling = io->seekable;
    }
    return line;
}

/* ---- position ------------------------------------------------------------------------------------------------------------------- */

typedef struct Cookie { off_t start; int dec_flags, bytes_to_feed, chars_to_skip; char need_eof; } Cookie;

enum { COOKIE_SIZE = sizeof(off_t) + 3 * sizeof(int) + sizeof(char) };

static int cookie_parse(Cookie *cookie, PyObject *value)
{
    unsigned char bytes[COOKIE_SIZE];
    PyObject *index = PyNumber_Index(value);
    if (!index) return -1;
    Py_ssize_t n = PyLong_AsNativeBytes(index, bytes, sizeof bytes, Py_ASNATIVEBYTES_LITTLE_ENDIAN | Py_ASNATIVEBYTES_REJECT_NEGATIVE
                                                                     | Py_ASNATIVEBYTES_UNSIGNED_BUFFER);
    Py_DECREF(index);
    if (n < 0) return -1;
    if (n > (Py_ssize_t)sizeof bytes) {
        PyErr_SetString(PyExc_OverflowError, "int too big to convert");
        return -1;
    }
    memcpy(&cookie->start, bytes, sizeof(off_t));
    memcpy(&cookie->dec_flags, bytes + 8, 4);
    memcpy(&cookie->bytes_to_feed, bytes + 12, 4);
    memcpy(&cookie->chars_to_skip, bytes + 16, 4);
    cookie->need_eof = (char)bytes[20];
    return 0;
}

static PyObject *cookie_build(const Cookie *cookie)
{
    unsigned char bytes[COOKIE_SIZE];
    memcpy(bytes, &cookie->start, sizeof(off_t));
    memcpy(bytes + 8, &cookie->dec_flags, 4);
    memcpy(bytes + 12, &cookie->bytes_to_feed, 4);
    memcpy(bytes + 16, &cookie->chars_to_skip, 4);
    bytes[20] = (unsigned char)cookie->need_eof;
    return PyLong_FromUnsignedNativeBytes(bytes, sizeof bytes, Py_ASNATIVEBYTES_LITTLE_ENDIAN);
}

static int decoder_set(TextIo *self, const Cookie *cookie)
{
    PyObject *result = cookie->start == 0 && cookie->dec_flags == 0 ? io_call(self->decoder, "reset")
                                                                   : PyObject_CallMethod(self->decoder, "setstate", "((yi))", "", cookie->dec_flags);
    Py_XDECREF(result);
    return result ? 0 : -1;
}

static int encoder_set(TextIo *self, bool start)
{
    self->encoding_start_of_stream = start;
    return reset_encoder(self, start);
}

BUILTIN_NOARGS(textio, flush, "($self, /)", "")
{
    TextIo *io = TEXT_IO(self);
    CHECK_ATTACHED(io, NULL);
    CHECK_CLOSED(io);
    io->telling = io->seekable;
    if (write_pending(io) < 0) return NULL;
    return io_call(io->buffer, "flush");
}

static PyObject *seek_end(PyObject *self, PyObject *cookie)
{
    TextIo *io = TEXT_IO(self);
    int nonzero = PyObject_IsTrue(cookie);
    if (nonzero < 0) return NULL;
    if (nonzero) return io_unsupported(io_state_of(self), "can't do nonzero end-relative seeks");
    PyObject *flushed = io_call(self, "flush");
    if (!flushed) return NULL;
    Py_DECREF(flushed);
    set_decoded(io, NULL);
    Py_CLEAR(io->snapshot);
    if (io->decoder) {
        PyObject *reset = io_call(io->decoder, "reset");
        if (!reset) return NULL;
        Py_DECREF(reset);
    }
    PyObject *result = PyObject_CallMethod(io->buffer, "seek", "ii", 0, 2);
    if (result && io->encoder) {
        int zero = PyObject_Not(result);
        if (zero < 0 || encoder_set(io, zero) < 0) Py_CLEAR(result);
    }
    return result;
}

BUILTIN(textio, seek, POSITIONAL, "($self, cookie, whence=os.SEEK_SET, /)",
        "Set the stream position: to a number that tell() returned, or zero from the current position (1) or the end (2).")
{
    TextIo *io = TEXT_IO(self);
    int whence = 0;
    Cookie cookie;
    CHECK_ATTACHED(io, NULL);
    CHECK_CLOSED(io);
    if (arg[1] && (whence = PyLong_AsInt(arg[1])) == -1 && PyErr_Occurred()) return NULL;
    IoState *state = io_state_of(self);
    if (!io->seekable) return io_unsupported(state, "underlying stream is not seekable");
    PyObject *target = Py_NewRef(arg[0]);
    if (whence == 1) {
        int nonzero = PyObject_IsTrue(target);
        Py_DECREF(target);
        if (nonzero < 0) return NULL;
        if (nonzero) return io_unsupported(state, "can't do nonzero cur-relative seeks");
        if (!(target = io_call(self, "tell"))) return NULL;
    }
    else if (whence == 2) {
        PyObject *result = seek_end(self, target);
        Py_DECREF(target);
        return result;
    }
    else if (whence != 0) {
        Py_DECREF(target);
        return PyErr_Format(PyExc_ValueError, "invalid whence (%d, should be %d, %d or %d)", whence, 0, 1, 2);
    }
    PyObject *zero = PyLong_FromLong(0);
    int negative = zero ? PyObject_RichCompareBool(target, zero, Py_LT) : -1;
    Py_XDECREF(zero);
    if (negative < 0) goto fail;
    if (negative) {
        PyErr_Format(PyExc_ValueError, "negative seek position %R", target);
        goto fail;
    }
    PyObject *flushed = io_call(self, "flush");
    if (!flushed) goto fail;
    Py_DECREF(flushed);
    if (cookie_parse(&cookie, target) < 0) goto fail;
    PyObject *moved = PyObject_CallMethod(io->buffer, "seek", "L", (long long)cookie.start);
    if (!moved) goto fail;
    Py_DECREF(moved);
    set_decoded(io, NULL);
    Py_CLEAR(io->snapshot);
    if (io->decoder && decoder_set(io, &cookie) < 0) goto fail;
    if (cookie.chars_to_skip) {
        PyObject *input = PyObject_CallMethod(io->buffer, "read", "i", cookie.bytes_to_feed);
        if (!input) goto fail;
        if (!PyBytes_Check(input)) {
            PyErr_Format(PyExc_TypeError, "underlying read() should have returned a bytes object, not '%.200s'", Py_TYPE(input)->tp_name);
            Py_DECREF(input);
            goto fail;
        }
        io->snapshot = Py_BuildValue("iO", cookie.dec_flags, input);
        PyObject *text = io->snapshot ? decode_bytes(io, input, cookie.need_eof) : NULL;
        Py_DECREF(input);
        if (!text) goto fail;
        set_decoded(io, text);
        if (cookie.chars_to_skip < 0 || PyUnicode_GET_LENGTH(text) < cookie.chars_to_skip) {
            PyErr_SetString(PyExc_OSError, "can't restore logical file position");
            goto fail;
        }
        io->used = cookie.chars_to_skip;
    }
    else if (!(io->snapshot = Py_BuildValue("iy", cookie.dec_flags, ""))) goto fail;
    if (io->encoder && encoder_set(io, cookie.start == 0 && cookie.dec_flags == 0) < 0) goto fail;
    return target;
fail:
    Py_DECREF(target);
    return NULL;
}

/* Characters that feeding input gives from the given decoder flags; and the state afterwards. -1 with an exception. */
static Py_ssize_t feed(TextIo *self, const char *input, Py_ssize_t n, Py_ssize_t *held_bytes, int *flags)
{
    PyObject *text = PyObject_CallMethod(self->decoder, "decode", "y#", input, n), *state, *held, *flag_object;
    if (!text) return -1;
    if (!PyUnicode_Check(text)) {
        PyErr_Format(PyExc_TypeError, "decoder should return a string result, not '%.200s'", Py_TYPE(text)->tp_name);
        Py_DECREF(text);
        return -1;
    }
    Py_ssize_t chars = PyUnicode_GET_LENGTH(text);
    Py_DECREF(text);
    if (decoder_state(self, &state, &held, &flag_object) < 0) return -1;
    *held_bytes = PyBytes_GET_SIZE(held);
    *flags = PyLong_AsInt(flag_object);
    Py_DECREF(state);
    return *flags == -1 && PyErr_Occurred() ? -1 : chars;
}

/* Where in the snapshot's bytes the decoder holds nothing back and has produced at most chars_to_skip characters: the search
 * starts with a guess from the ratio of bytes to characters and then goes on byte by byte. */
static int locate(TextIo *self, Cookie *cookie, PyObject *next_input, Py_ssize_t skip)
{
    const char *input = PyBytes_AS_STRING(next_input);
    Py_ssize_t length = PyBytes_GET_SIZE(next_input), held;
    int flags = cookie->dec_flags;
    Py_ssize_t skip_bytes = (Py_ssize_t)(self->b2c_ratio * (double)skip), skip_back = 1;
    if (skip_bytes > length) skip_bytes = length;
    while (skip_bytes > 0) {
        if (decoder_set(self, cookie) < 0) return -1;
        Py_ssize_t n = feed(self, input, skip_bytes, &held, &flags);
        if (n < 0) return -1;
        if (n <= skip) {
            if (held == 0) {
                cookie->dec_flags = flags;
                skip -= n;
                break;
            }
            skip_bytes -= held;
            skip_back = 1;
        }
        else {
            skip_bytes -= skip_back;
            skip_back *= 2;
        }
    }
    if (skip_bytes <= 0) {
        skip_bytes = 0;
        if (decoder_set(self, cookie) < 0) return -1;
    }
    cookie->start += skip_bytes;
    cookie->chars_to_skip = (int)skip;
    if (skip == 0) return 0;
    Py_ssize_t decoded = 0;
    const char *p = input + skip_bytes, *end = input + length;
    for (; p < end; p++) {
        Py_ssize_t n = feed(self, p, 1, &held, &flags);
        if (n < 0) return -1;
        decoded += n;
        cookie->bytes_to_feed++;
        if (held == 0 && decoded <= skip) {                /* a safe place to start from */
            cookie->start += cookie->bytes_to_feed;
            skip -= decoded;
            cookie->dec_flags = flags;
            cookie->bytes_to_feed = 0;
            decoded = 0;
        }
        if (decoded >= skip) break;
    }
    if (p == end) {                                        /* what the decoder holds comes with the end of file */
        PyObject *text = PyObject_CallMethod(self->decoder, "decode", "yO", "", Py_True);
        if (text && !PyUnicode_Check(text)) {
            PyErr_Format(PyExc_TypeError, "decoder should return a string result, not '%.200s'", Py_TYPE(text)->tp_name);
            Py_CLEAR(text);
        }
        if (!text) return -1;
        decoded += PyUnicode_GET_LENGTH(text);
        Py_DECREF(text);
        cookie->need_eof = 1;
        if (decoded < skip) {
            PyErr_SetString(PyExc_OSError, "can't reconstruct logical file position");
            return -1;
        }
    }
    cookie->chars_to_skip = (int)skip;
    return 0;
}

BUILTIN_NOARGS(textio, tell, "($self, /)", "Return the stream position as an opaque number, to be given to seek().")
{
    TextIo *io = TEXT_IO(self);
    CHECK_ATTACHED(io, NULL);
    CHECK_CLOSED(io);
    if (!io->seekable) return io_unsupported(io_state_of(self), "underlying stream is not seekable");
    if (!io->telling) {
        PyErr_SetString(PyExc_OSError, "telling position disabled by next() call");
        return NULL;
    }
    if (write_pending(io) < 0) return NULL;
    PyObject *flushed = io_call(io->buffer, "flush");
    if (!flushed) return NULL;
    Py_DECREF(flushed);
    PyObject *position = io_call(io->buffer, "tell"), *result = NULL;
    if (!position) return NULL;
    if (!io->decoder || !io->snapshot) return position;
    Cookie cookie = { 0 };
    PyObject *next_input, *saved;
    cookie.start = io_offset(position, NULL);
    Py_DECREF(position);
    if (cookie.start == -1 && PyErr_Occurred()) return NULL;
    PyObject *snapshot = Py_NewRef(io->snapshot);          /* the flags may be an object with an __index__ */
    if (!PyArg_ParseTuple(snapshot, "iO", &cookie.dec_flags, &next_input)) {
        Py_DECREF(snapshot);
        return NULL;
    }
    cookie.start -= PyBytes_GET_SIZE(next_input);
    if (io->used == 0) result = cookie_build(&cookie);
    else if ((saved = io_call(io->decoder, "getstate"))) {
        bool found = locate(io, &cookie, next_input, io->used) == 0;
        PyObject *error = found ? NULL : PyErr_GetRaisedException();
        PyObject *restored = io_call1(io->decoder, "setstate", saved);
        Py_DECREF(saved);
        if (error) {
            PyErr_Clear();
            PyErr_SetRaisedException(error);
        }
        else if (restored) result = cookie_build(&cookie);
        Py_XDECREF(restored);
    }
    Py_DECREF(snapshot);
    return result;
}

BUILTIN(textio, truncate, POSITIONAL, "($self, pos=None, /)", "")
{
    CHECK_ATTACHED(TEXT_IO(self), NULL);
    PyObject *flushed = io_call(self, "flush");
    if (!flushed) return NULL;
    Py_DECREF(flushed);
    return io_call1(TEXT_IO(self)->buffer, "truncate", arg[0] ? arg[0] : Py_None);
}

/* ---- the rest ---------------------------------------------------------------------------------------------------------------------- */

BUILTIN_NOARGS(textio, detach, "($self, /)", "")
{
    CHECK_ATTACHED(TEXT_IO(self), NULL);
    PyObject *flushed = io_call(self, "flush");
    if (!flushed) return NULL;
    Py_DECREF(flushed);
    CHECK_ATTACHED(TEXT_IO(self), NULL);                    /* a flush() of a subclass may have done it */
    PyObject *buffer = TEXT_IO(self)->buffer;
    TEXT_IO(self)->buffer = NULL;
    TEXT_IO(self)->detached = true;
    return buffer;
}

/* By __index__, not by truth. 0 or -1. */
static int optional_flag(PyObject *value, bool *flag)
{
    if (!value || value == Py_None) return 0;
    long n = PyLong_AsLong(value);
    if (n == -1 && PyErr_Occurred()) return -1;
    *flag = n != 0;
    return 0;
}

static int change_encoding(TextIo *self, PyObject *encoding, PyObject *errors, bool newline_changed)
{
    if (encoding == Py_None && errors == Py_None && !newline_changed) return 0;
    PyObject *new_encoding, *new_errors;
    if (encoding == Py_None) {
        new_encoding = Py_NewRef(self->encoding);
        new_errors = Py_NewRef(errors == Py_None ? self->errors : errors);
    }
    else {
        if (PyUnicode_CompareWithASCIIString(encoding, "locale") == 0) {
            if (!(new_encoding = locale_encoding())) return -1;
        }
        else new_encoding = Py_NewRef(encoding);
        new_errors = errors == Py_None ? PyUnicode_FromString("strict") : Py_NewRef(errors);
    }
    PyObject *info = new_errors && PyUnicode_AsUTF8(new_errors) && check_errors_handler(new_errors) == 0 ? lookup_text_codec(new_encoding) : NULL;
    int status = -1;
    if (info && set_decoder(self, info, new_errors) == 0 && set_encoder(self, info, new_errors) == 0) {
        Py_XSETREF(self->encoding, Py_NewRef(new_encoding));
        Py_XSETREF(self->errors, Py_NewRef(new_errors));
        status = fix_encoder_state(self);
    }
    Py_XDECREF(info);
    Py_XDECREF(new_errors);
    Py_DECREF(new_encoding);
    return status;
}

BUILTIN(textio, reconfigure, KEYWORDS,
        "($self, /, *, encoding=None, errors=None, newline=None,\n            line_buffering=None, write_through=None)",
        "Reconfigure the text stream with new parameters. This also does an implicit stream flush.")
{
    TextIo *io = TEXT_IO(self);
    PyObject *encoding = arg[0] ? arg[0] : Py_None, *errors = arg[1] ? arg[1] : Py_None;
    const char *newline = NULL;
    CHECK_ATTACHED(io, NULL);
    if (encoding != Py_None && !PyUnicode_Check(encoding))
        return PyErr_Format(PyExc_TypeError, "reconfigure() argument 'encoding' must be str or None, not %T", encoding);
    if (errors != Py_None && !PyUnicode_Check(errors))
        return PyErr_Format(PyExc_TypeError, "reconfigure() argument 'errors' must be str or None, not %T", errors);
    if (io->decoded && (encoding != Py_None || errors != Py_None || arg[2]))
        return io_unsupported(io_state_of(self), "It is not possible to set the encoding or newline of stream after the first read");
    if (arg[2] && arg[2] != Py_None) {
        if (!PyUnicode_Check(arg[2])) return PyErr_Format(PyExc_TypeError, "reconfigure() argument 'newline' must be str or None, not %T", arg[2]);
        if (newline_argument(arg[2], &newline) < 0) return NULL;
    }
    bool line_buffering = io->line_buffering, write_through = io->write_through;
    if (optional_flag(arg[3], &line_buffering) < 0 || optional_flag(arg[4], &write_through) < 0) return NULL;
    PyObject *flushed = io_call(self, "flush");
    if (!flushed) return NULL;
    Py_DECREF(flushed);
    io->b2c_ratio = 0;
    if (arg[2] && set_newline(io, newline) < 0) return NULL;
    if (change_encoding(io, encoding, errors, arg[2] != NULL) < 0) return NULL;
    io->line_buffering = line_buffering;
    io->write_through = write_through;
    Py_RETURN_NONE;
}

#define FORWARD(name) BUILTIN_NOARGS(textio, name, "($self, /)", "") { CHECK_ATTACHED(TEXT_IO(self), NULL); return io_call(TEXT_IO(self)->buffer, #name); }
FORWARD(fileno)
FORWARD(seekable)
FORWARD(readable)
FORWARD(writable)
FORWARD(isatty)

static PyObject *textio_get_closed(PyObject *self, void *closure)
{
    CHECK_ATTACHED(TEXT_IO(self), NULL);
    return PyObject_GetAttrString(TEXT_IO(self)->buffer, "closed");
}

BUILTIN_NOARGS(textio, close, "($self, /)", "")
{
    TextIo *io = TEXT_IO(self);
    CHECK_ATTACHED(io, NULL);
    int closed = io_truth(textio_get_closed(self, NULL));
    if (closed < 0) return NULL;
    if (closed) Py_RETURN_NONE;
    if (io->finalizing) {
        PyObject *warned = io_call1(io->buffer, "_dealloc_warn", self);
        if (warned) Py_DECREF(warned);
        else PyErr_Clear();
    }
    PyObject *error = NULL, *flushed = io_call(self, "flush");
    if (flushed) Py_DECREF(flushed);
    else error = PyErr_GetRaisedException();
    PyObject *result = io_call(io->buffer, "close");
    if (error) {
        if (!result) {
            PyObject *later = PyErr_GetRaisedException();
            PyException_SetContext(later, error);
            PyErr_SetRaisedException(later);
        }
        else PyErr_SetRaisedException(error);
        Py_CLEAR(result);
    }
    return result;
}

static PyObject *textio_get_name(PyObject *self, void *closure)
{
    CHECK_ATTACHED(TEXT_IO(self), NULL);
    return PyObject_GetAttrString(TEXT_IO(self)->buffer, "name");
}

static PyObject *textio_get_newlines(PyObject *self, void *closure)
{
    PyObject *newlines;
    CHECK_ATTACHED(TEXT_IO(self), NULL);
    if (!TEXT_IO(self)->decoder) Py_RETURN_NONE;
    if (PyObject_GetOptionalAttrString(TEXT_IO(self)->decoder, "newlines", &newlines) == 0) Py_RETURN_NONE;
    return newlines;
}

static PyObject *textio_get_errors(PyObject *self, void *closure)
{
    if (!TEXT_IO(self)->ok) {
        PyErr_SetString(PyExc_ValueError, "I/O operation on uninitialized object");
        return NULL;
    }
    return Py_NewRef(TEXT_IO(self)->errors);
}

static PyObject *textio_get_chunk_size(PyObject *self, void *closure)
{
    CHECK_ATTACHED(TEXT_IO(self), NULL);
    return PyLong_FromSsize_t(TEXT_IO(self)->chunk_size);
}

static int textio_set_chunk_size(PyObject *self, PyObject *value, void *closure)
{
    CHECK_ATTACHED(TEXT_IO(self), -1);
    if (!value) {
        PyErr_SetString(PyExc_AttributeError, "cannot delete attribute");
        return -1;
    }
    Py_ssize_t n = PyNumber_AsSsize_t(value, PyExc_ValueError);
    if (n == -1 && PyErr_Occurred()) return -1;
    if (n <= 0) {
        PyErr_SetString(PyExc_ValueError, "a strictly positive integer is required");
        return -1;
    }
    TEXT_IO(self)->chunk_size = n;
    return 0;
}

static PyObject *textio_getstate(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return PyErr_Format(PyExc_TypeError, "cannot pickle '%.100s' instances", _PyType_Name(Py_TYPE(self)));
}

static PyObject *textio_repr(PyObject *self)
{
    TextIo *io = TEXT_IO(self);
    if (!io->ok) {
        PyErr_SetString(PyExc_ValueError, "I/O operation on uninitialized object");
        return NULL;
    }
    int status = Py_ReprEnter(self);
    if (status) {
        if (status > 0) PyErr_Format(PyExc_RuntimeError, "reentrant call inside %s.__repr__", Py_TYPE(self)->tp_name);
        return NULL;
    }
    PyObject *name = NULL, *mode = NULL, *repr = PyUnicode_FromFormat("<%.100s", Py_TYPE(self)->tp_name);
    if (!repr) goto done;
    if (PyObject_GetOptionalAttrString(self, "name", &name) < 0) {
        if (!PyErr_ExceptionMatches(PyExc_ValueError)) goto fail;
        PyErr_Clear();
    }
    if (name) PyUnicode_AppendAndDel(&repr, PyUnicode_FromFormat(" name=%R", name));
    if (repr && PyObject_GetOptionalAttrString(self, "mode", &mode) < 0) goto fail;
    if (repr && mode) PyUnicode_AppendAndDel(&repr, PyUnicode_FromFormat(" mode=%R", mode));
    if (repr) PyUnicode_AppendAndDel(&repr, PyUnicode_FromFormat(" encoding=%R>", io->encoding));
    goto done;
fail:
    Py_CLEAR(repr);
done:
    Py_XDECREF(name);
    Py_XDECREF(mode);
    Py_ReprLeave(self);
    return repr;
}

static PyMethodDef textio_methods[] = {
    METHOD(textio, detach), METHOD(textio, reconfigure), METHOD(textio, write), METHOD(textio, read), METHOD(textio, readline),
    METHOD(textio, flush), METHOD(textio, close), METHOD(textio, fileno), METHOD(textio, seekable), METHOD(textio, readable),
    METHOD(textio, writable), METHOD(textio, isatty), METHOD(textio, seek), METHOD(textio, tell), METHOD(textio, truncate),
    { "__getstate__", textio_getstate, METH_NOARGS, NULL },
    { 0 }
};

static PyMemberDef textio_members[] = {
    { "encoding", Py_T_OBJECT_EX, offsetof(TextIo, encoding), Py_READONLY, NULL },
    { "buffer", Py_T_OBJECT_EX, offsetof(TextIo, buffer), Py_READONLY, NULL },
    { "line_buffering", Py_T_BOOL, offsetof(TextIo, line_buffering), Py_READONLY, NULL },
    { "write_through", Py_T_BOOL, offsetof(TextIo, write_through), Py_READONLY, NULL },
    { "_finalizing", Py_T_BOOL, offsetof(TextIo, finalizing), 0, NULL },
    { "__weaklistoffset__", Py_T_PYSSIZET, offsetof(TextIo, weakrefs), Py_READONLY, NULL },
    { "__dictoffset__", Py_T_PYSSIZET, offsetof(TextIo, dict), Py_READONLY, NULL },
    { 0 }
};

static PyGetSetDef textio_getset[] = {
    { "name", textio_get_name, NULL, NULL, NULL }, { "closed", textio_get_closed, NULL, NULL, NULL },
    { "newlines", textio_get_newlines, NULL, NULL, NULL }, { "errors", textio_get_errors, NULL, NULL, NULL },
    { "_CHUNK_SIZE", textio_get_chunk_size, textio_set_chunk_size, NULL, NULL }, { 0 }
};

static PyType_Slot textio_slots[] = {
    { Py_tp_doc, "TextIOWrapper(buffer, encoding=None, errors=None, newline=None,\n              line_buffering=False, write_through=False)\n--\n\n"
                 "Character and line based layer over a BufferedIOBase object, buffer." },
    { Py_tp_init, textio_init }, { Py_tp_dealloc, textio_dealloc }, { Py_tp_traverse, textio_traverse }, { Py_tp_clear, textio_clear },
    { Py_tp_repr, textio_repr }, { Py_tp_iternext, textio_next }, { Py_tp_methods, textio_methods }, { Py_tp_members, textio_members },
    { Py_tp_getset, textio_getset }, { 0, NULL }
};

PyType_Spec text_io_wrapper_spec = {
    "_io.TextIOWrapper", sizeof(TextIo), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE, textio_slots
};
