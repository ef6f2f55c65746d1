/* _multibytecodec: what is around the East Asian codecs. Runs a codec over text or bytes, calls error handlers, keeps what is incomplete
 * for the next call of an incremental codec or a stream. */
#include "cjk_private.h"

enum { DECODE_PENDING_MAX = 8, ENCODE_PENDING_MAX = 2 };

typedef struct ModuleState { PyTypeObject *codec; } ModuleState;

typedef struct Codec { PyObject_HEAD const CjkCodec *codec; } Codec;

/* Incremental encoders and decoders, stream readers and writers; each uses its part. */
typedef struct Stateful {
    PyObject_HEAD
    const CjkCodec *codec;
    CjkState state;
    PyObject *errors;
    PyObject *stream;                    /* of readers and writers, else NULL */
    PyObject *pending_text;              /* characters that wait for the next, or NULL */
    unsigned char pending[DECODE_PENDING_MAX];
    int pending_count;
} Stateful;

#define STATEFUL(o) ((Stateful *)(o))

static struct PyModuleDef multibytecodec_module;

static void state_init(const CjkCodec *codec, CjkState *s, bool decoding)
{
    memset(s, 0, sizeof *s);
    if (codec->init) codec->init(s, decoding);
}

/* ---- error handlers ------------------------------------------------------------------------------------------------------------------- */

static bool errors_are(PyObject *errors, const char *name) { return errors ? PyUnicode_EqualToUTF8(errors, name) : !strcmp(name, "strict"); }

/* Calls the handler: a tuple (str or bytes, position), NEW; *position within 0 .. length. */
static PyObject *call_handler(PyObject *errors, PyObject *exception, bool encoding, Py_ssize_t length, Py_ssize_t *position)
{
    if (errors_are(errors, "strict")) {
        PyCodec_StrictErrors(exception);
        return NULL;
    }
    const char *name = PyUnicode_AsUTF8(errors);
    PyObject *handler = name ? PyCodec_LookupError(name) : NULL;
    PyObject *answer = handler ? PyObject_CallOneArg(handler, exception) : NULL;
    Py_XDECREF(handler);
    if (!answer) return NULL;
    if (!PyTuple_Check(answer) || PyTuple_GET_SIZE(answer) != 2 || !PyLong_Check(PyTuple_GET_ITEM(answer, 1)) ||
        !(PyUnicode_Check(PyTuple_GET_ITEM(answer, 0)) || (encoding && PyBytes_Check(PyTuple_GET_ITEM(answer, 0))))) {
        PyErr_Format(PyExc_TypeError, "%s error handler must return (str, int) tuple", encoding ? "encoding" : "decoding");
        goto failed;
    }
    Py_ssize_t at = PyLong_AsSsize_t(PyTuple_GET_ITEM(answer, 1));
    if (at < 0 && !PyErr_Occurred()) at += length;
    if (at < 0 || at > length) {
        PyErr_Clear();
        PyErr_Format(PyExc_IndexError, "position %zd from error handler out of bounds", at);
        goto failed;
    }
    *position = at;
    return answer;
failed:
    Py_DECREF(answer);
    return NULL;
}

/* ---- encoding ---------------------------------------------------------------------------------------------------------------------------- */

typedef struct Bytes { char *data; Py_ssize_t size, capacity; } Bytes;

static int bytes_reserve(Bytes *b, Py_ssize_t n)
{
    if (b->capacity - b->size >= n) return 0;
    if (b->size > PY_SSIZE_T_MAX / 2 - n) {
        PyErr_NoMemory();
        return -1;
    }
    Py_ssize_t capacity = (b->size + n) * 3 / 2 + 16;
    char *data = PyMem_Realloc(b->data, (size_t)capacity);
    if (!data) {
        PyErr_NoMemory();
        return -1;
    }
    b->data = data;
    b->capacity = capacity;
    return 0;
}

static int bytes_add(Bytes *b, const void *data, Py_ssize_t n)
{
    if (bytes_reserve(b, n) < 0) return -1;
    if (n) memcpy(b->data + b->size, data, (size_t)n);
    b->size += n;
    return 0;
}

static PyObject *encode_text(const CjkCodec *codec, CjkState *s, PyObject *text, PyObject *errors, bool flush, bool reset, Py_ssize_t *consumed);

/* text[at : at + n] has no code. Writes what stands for it; *position is where to go on. */
static int encode_error(const CjkCodec *codec, CjkState *s, PyObject *text, Py_ssize_t at, Py_ssize_t n, PyObject *errors, Bytes *out,
                        Py_ssize_t *position)
{
    if (errors_are(errors, "ignore") || errors_are(errors, "replace")) {
        *position = at + n;
        if (errors_are(errors, "ignore")) return 0;
        unsigned char mark[CJK_BYTES_MAX];
        int count = 0;
        if (codec->encode(codec, s, &(Py_UCS4){ '?' }, 1, true, mark, &count) <= 0) return bytes_add(out, "?", 1);
        return bytes_add(out, mark, count);
    }
    PyObject *exception = PyObject_CallFunction(PyExc_UnicodeEncodeError, "sOnns", codec->name, text, at, at + n, "illegal multibyte sequence");
    PyObject *answer = exception ? call_handler(errors, exception, true, PyUnicode_GET_LENGTH(text), position) : NULL;
    Py_XDECREF(exception);
    if (!answer) return -1;
    PyObject *instead = PyTuple_GET_ITEM(answer, 0);
    instead = PyUnicode_Check(instead) ? encode_text(codec, s, instead, NULL, true, false, NULL) : Py_NewRef(instead);
    Py_DECREF(answer);
    if (!instead) return -1;
    int status = bytes_add(out, PyBytes_AS_STRING(instead), PyBytes_GET_SIZE(instead));
    Py_DECREF(instead);
    return status;
}

/* Bytes for text, all of it when flush; else *consumed tells how much. reset: end in the initial state. */
static PyObject *encode_text(const CjkCodec *codec, CjkState *s, PyObject *text, PyObject *errors, bool flush, bool reset, Py_ssize_t *consumed)
{
    Py_ssize_t length = PyUnicode_GET_LENGTH(text), at = 0;
    PyObject *result = NULL;
    Py_UCS4 *in = PyUnicode_AsUCS4Copy(text);
    Bytes out = {0};
    if (!in || bytes_reserve(&out, length * 2 + CJK_BYTES_MAX) < 0) goto done;
    while (at < length) {
        if (bytes_reserve(&out, CJK_BYTES_MAX) < 0) goto done;
        int count = 0, taken = codec->encode(codec, s, in + at, length - at, flush, (unsigned char *)out.data + out.size, &count);
        if (taken > 0) {
            at += taken;
            out.size += count;
        } else if (taken == CJK_NEED_MORE) {
            break;
        } else if (encode_error(codec, s, text, at, -taken, errors, &out, &at) < 0) {
            goto done;
        }
    }
    if (reset && codec->reset) {
        if (bytes_reserve(&out, CJK_BYTES_MAX) < 0) goto done;
        out.size += codec->reset(s, (unsigned char *)out.data + out.size);
    }
    if (consumed) *consumed = at;
    result = PyBytes_FromStringAndSize(out.data, out.size);
done:
    PyMem_Free(in);
    PyMem_Free(out.data);
    return result;
}

/* ---- decoding ---------------------------------------------------------------------------------------------------------------------------- */

typedef struct Decoding {
    const CjkCodec *codec;
    CjkState *state;
    PyObject *errors;
    const unsigned char *in;
    Py_ssize_t size, at;
    Py_UCS4 *out;
    Py_ssize_t count, capacity;
} Decoding;

static int decoding_reserve(Decoding *d, Py_ssize_t n)
{
    if (d->capacity - d->count >= n) return 0;
    if (d->count + n > PY_SSIZE_T_MAX / 8) {
        PyErr_NoMemory();
        return -1;
    }
    Py_ssize_t capacity = (d->count + n) * 3 / 2 + 16;
    Py_UCS4 *out = PyMem_Realloc(d->out, (size_t)capacity * sizeof *out);
    if (!out) {
        PyErr_NoMemory();
        return -1;
    }
    d->out = out;
    d->capacity = capacity;
    return 0;
}

/* The n bytes at d->at mean nothing. */
static int decode_error(Decoding *d, Py_ssize_t n, const char *reason)
{
    if (n > d->size - d->at) n = d->size - d->at;
    if (errors_are(d->errors, "ignore") || errors_are(d->errors, "replace")) {
        if (decoding_reserve(d, 1) < 0) return -1;
        if (errors_are(d->errors, "replace")) d->out[d->count++] = 0xFFFD;
        d->at += n;
        return 0;
    }
    PyObject *exception = PyUnicodeDecodeError_Create(d->codec->name, (const char *)d->in, d->size, d->at, d->at + n, reason);
    PyObject *answer = exception ? call_handler(d->errors, exception, false, d->size, &d->at) : NULL;
    Py_XDECREF(exception);
    if (!answer) return -1;
    PyObject *instead = PyTuple_GET_ITEM(answer, 0);
    Py_ssize_t length = PyUnicode_GET_LENGTH(instead);
    int status = decoding_reserve(d, length + 1);
    if (status == 0 && length && !PyUnicode_AsUCS4(instead, d->out + d->count, length, 0)) status = -1;
    if (status == 0) d->count += length;
    Py_DECREF(answer);
    return status;
}

static int decode_incomplete(Decoding *d) { return decode_error(d, d->size - d->at, "incomplete multibyte sequence"); }

/* Up to the end or what is incomplete there. */
static int decode_run(Decoding *d)
{
    if (decoding_reserve(d, d->size + 2) < 0) return -1;
    while (d->at < d->size) {
        int count = 0;
        if (decoding_reserve(d, 2) < 0) return -1;
        int taken = d->codec->decode(d->codec, d->state, d->in + d->at, d->size - d->at, d->out + d->count, &count);
        if (taken > 0) {
            d->at += taken;
            d->count += count;
        } else if (taken == CJK_NEED_MORE) {
            return 0;
        } else if (decode_error(d, -taken, "illegal multibyte sequence") < 0) {
            return -1;
        }
    }
    return 0;
}

static PyObject *decoding_text(Decoding *d) { return PyUnicode_FromKindAndData(PyUnicode_4BYTE_KIND, d->out, d->count); }

/* ---- MultibyteCodec ------------------------------------------------------------------------------------------------------------------------ */

static int errors_argument(PyObject *arg, const char *function, PyObject **errors)
{
    *errors = arg && arg != Py_None ? arg : NULL;
    if (!*errors || PyUnicode_Check(*errors)) return 0;
    PyErr_Format(PyExc_TypeError, "%s() argument 'errors' must be str or None, not %.50s", function, Py_TYPE(arg)->tp_name);
    return -1;
}

BUILTIN(codec, encode, KEYWORDS, "($self, /, input, errors=None)", "The bytes of a string, and its length.")
{
    const CjkCodec *codec = ((Codec *)self)->codec;
    PyObject *errors, *text;
    CjkState s;
    if (errors_argument(arg[1], "encode", &errors) < 0) return NULL;
    if (PyUnicode_Check(arg[0])) text = Py_NewRef(arg[0]);
    else if (!(text = PyObject_Str(arg[0]))) return NULL;
    state_init(codec, &s, false);
    PyObject *bytes = encode_text(codec, &s, text, errors, true, true, NULL);
    Py_ssize_t length = PyUnicode_GET_LENGTH(text);
    Py_DECREF(text);
    return bytes ? Py_BuildValue("Nn", bytes, length) : NULL;
}

BUILTIN(codec, decode, KEYWORDS, "($self, /, input, errors=None)", "The string that bytes stand for, and their number.")
{
    const CjkCodec *codec = ((Codec *)self)->codec;
    Py_buffer view;
    CjkState s;
    Decoding d = { codec, &s };
    PyObject *text = NULL;
    if (errors_argument(arg[1], "decode", &d.errors) < 0 || PyObject_GetBuffer(arg[0], &view, PyBUF_SIMPLE) < 0) return NULL;
    state_init(codec, &s, true);
    d.in = view.buf;
    d.size = view.len;
    int status;
    while ((status = decode_run(&d)) == 0 && d.at < d.size)
        if ((status = decode_incomplete(&d)) < 0) break;
    if (status == 0) text = decoding_text(&d);
    Py_ssize_t size = view.len;
    PyMem_Free(d.out);
    PyBuffer_Release(&view);
    return text ? Py_BuildValue("Nn", text, size) : NULL;
}

static int traverse_type(PyObject *self, visitproc visit, void *arg)
{
    VISIT_TYPE(self);
    return 0;
}

static void codec_dealloc(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    free_instance(self);
}

static PyMethodDef codec_methods[] = { METHOD(codec, encode), METHOD(codec, decode), {0} };
static PyType_Slot codec_slots[] = {
    SLOT(tp_dealloc, codec_dealloc), SLOT(tp_getattro, PyObject_GenericGetAttr), SLOT(tp_methods, codec_methods),
    SLOT(tp_traverse, traverse_type), {0},
};
static PyType_Spec codec_spec = {
    .name = "_multibytecodec.MultibyteCodec", .basicsize = sizeof(Codec), .slots = codec_slots,
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE,
};

#define CODEC_CAPSULE "multibytecodec.codec"

PyObject *cjk_getcodec(const CjkCodec *codecs, PyObject *name)
{
    if (!PyUnicode_Check(name)) return PyErr_Format(PyExc_TypeError, "encoding name must be a string.");
    const char *text = PyUnicode_AsUTF8(name);
    if (!text) return NULL;
    while (codecs->name && strcmp(codecs->name, text)) codecs++;
    if (!codecs->name) return PyErr_Format(PyExc_LookupError, "no such codec is supported.");
    PyObject *capsule = PyCapsule_New((void *)codecs, CODEC_CAPSULE, NULL), *module = capsule ? PyImport_ImportModule("_multibytecodec") : NULL;
    PyObject *codec = module ? PyObject_CallMethod(module, "__create_codec", "O", capsule) : NULL;
    Py_XDECREF(capsule);
    Py_XDECREF(module);
    return codec;
}

static PyObject *create_codec(PyObject *module, PyObject *arg)
{
    if (!PyCapsule_IsValid(arg, CODEC_CAPSULE)) return PyErr_Format(PyExc_ValueError, "argument type invalid");
    ModuleState *s = PyModule_GetState(module);
    Codec *self = PyObject_GC_New(Codec, s->codec);
    if (!self) return NULL;
    self->codec = PyCapsule_GetPointer(arg, CODEC_CAPSULE);
    PyObject_GC_Track(self);
    return (PyObject *)self;
}

/* ---- stateful codecs ------------------------------------------------------------------------------------------------------------------------- */

/* The codec is an attribute of the class. stream: NULL for the incremental ones. */
static PyObject *stateful_make(PyTypeObject *type, PyObject *stream, const char *errors, bool decoding)
{
    Stateful *self = (Stateful *)type->tp_alloc(type, 0);
    PyObject *codec = NULL, *module = PyType_GetModuleByDef(type, &multibytecodec_module);
    if (!self || !module || !(codec = PyObject_GetAttrString((PyObject *)self, "codec"))) goto failed;
    if (!Py_IS_TYPE(codec, ((ModuleState *)PyModule_GetState(module))->codec)) {
        PyErr_SetString(PyExc_TypeError, "codec is unexpected type");
        goto failed;
    }
    self->codec = ((Codec *)codec)->codec;
    self->stream = Py_XNewRef(stream);
    if (errors && !(self->errors = PyUnicode_FromString(errors))) goto failed;
    state_init(self->codec, &self->state, decoding);
    Py_DECREF(codec);
    return (PyObject *)self;
failed:
    Py_XDECREF(codec);
    Py_XDECREF(self);
    return NULL;
}

static PyObject *incremental_new(PyTypeObject *type, PyObject *args, PyObject *kwargs, const char *format, bool decoding)
{
    static char *keywords[] = { "errors", NULL };
    const char *errors = NULL;
    return PyArg_ParseTupleAndKeywords(args, kwargs, format, keywords, &errors) ? stateful_make(type, NULL, errors, decoding) : NULL;
}

static PyObject *stream_new(PyTypeObject *type, PyObject *args, PyObject *kwargs, const char *format, bool decoding)
{
    static char *keywords[] = { "stream", "errors", NULL };
    const char *errors = NULL;
    PyObject *stream;
    return PyArg_ParseTupleAndKeywords(args, kwargs, format, keywords, &stream, &errors) ? stateful_make(type, stream, errors, decoding) : NULL;
}

static PyObject *encoder_new(PyTypeObject *t, PyObject *a, PyObject *k) { return incremental_new(t, a, k, "|s:IncrementalEncoder", false); }
static PyObject *decoder_new(PyTypeObject *t, PyObject *a, PyObject *k) { return incremental_new(t, a, k, "|s:IncrementalDecoder", true); }
static PyObject *reader_new(PyTypeObject *t, PyObject *a, PyObject *k) { return stream_new(t, a, k, "O|s:StreamReader", true); }
static PyObject *writer_new(PyTypeObject *t, PyObject *a, PyObject *k) { return stream_new(t, a, k, "O|s:StreamWriter", false); }
static int stateful_init(PyObject *self, PyObject *args, PyObject *kwargs) { return 0; }

static int stateful_traverse(PyObject *self, visitproc visit, void *arg)
{
    VISIT_TYPE(self);
    Py_VISIT(STATEFUL(self)->stream);
    return 0;
}

static int stateful_clear(PyObject *self)
{
    Py_CLEAR(STATEFUL(self)->stream);
    return 0;
}

static void stateful_dealloc(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    stateful_clear(self);
    Py_CLEAR(STATEFUL(self)->errors);
    Py_CLEAR(STATEFUL(self)->pending_text);
    free_instance(self);
}

static PyObject *get_errors(PyObject *self, void *unused)
{
    return STATEFUL(self)->errors ? Py_NewRef(STATEFUL(self)->errors) : PyUnicode_FromString("strict");
}

static int set_errors(PyObject *self, PyObject *value, void *unused)
{
    if (!value) PyErr_SetString(PyExc_AttributeError, "cannot delete attribute");
    else if (!PyUnicode_Check(value)) PyErr_SetString(PyExc_TypeError, "errors must be a string");
    else {
        SET_FIELD(STATEFUL(self)->errors, Py_NewRef(value));
        return 0;
    }
    return -1;
}

static PyGetSetDef stateful_getset[] = { { "errors", get_errors, set_errors, PyDoc_STR("how to treat errors") }, {0} };
static PyMemberDef stream_members[] = { { "stream", Py_T_OBJECT_EX, offsetof(Stateful, stream), Py_READONLY }, {0} };

/* ---- encoders ------------------------------------------------------------------------------------------------------------------------------------ */

static PyObject *stateful_encode(Stateful *self, PyObject *input, bool final)
{
    if (!PyUnicode_Check(input)) return PyErr_Format(PyExc_TypeError, "couldn't convert the object to str.");
    PyObject *text = self->pending_text ? PyUnicode_Concat(self->pending_text, input) : Py_NewRef(input);
    Py_ssize_t consumed = 0;
    PyObject *errors = Py_XNewRef(self->errors), *result = text ? encode_text(self->codec, &self->state, text, errors, final, final, &consumed) : NULL;
    Py_XDECREF(errors);
    if (result) {
        Py_ssize_t length = PyUnicode_GET_LENGTH(text);
        Py_CLEAR(self->pending_text);
        if (length - consumed > ENCODE_PENDING_MAX) {
            PyErr_SetString(PyExc_UnicodeError, "pending buffer overflow");
            Py_CLEAR(result);
        } else if (consumed < length && !(self->pending_text = PyUnicode_Substring(text, consumed, length))) {
            Py_CLEAR(result);
        }
    }
    Py_XDECREF(text);
    return result;
}

static int final_argument(PyObject *arg) { return arg ? PyObject_IsTrue(arg) : 0; }

BUILTIN(encoder, encode, KEYWORDS, "($self, /, input, final=False)", "")
{
    int final = final_argument(arg[1]);
    return final < 0 ? NULL : stateful_encode(STATEFUL(self), arg[0], final);
}

enum { STATE_MAX = 1 + ENCODE_PENDING_MAX * 4 + sizeof(CjkState) };
#define STATE_FLAGS (Py_ASNATIVEBYTES_LITTLE_ENDIAN | Py_ASNATIVEBYTES_UNSIGNED_BUFFER | Py_ASNATIVEBYTES_REJECT_NEGATIVE)

static PyObject *pending_error(const CjkCodec *codec, const void *data, Py_ssize_t size, const char *reason)
{
    PyObject *error = PyUnicodeDecodeError_Create(codec->name, data, size, 0, size, reason);
    if (error) PyErr_SetObject(PyExc_UnicodeDecodeError, error);
    Py_XDECREF(error);
    return NULL;
}

/* The number whose bytes are: how many of pending text in UTF-8, these, the codec's state. */
BUILTIN_NOARGS(encoder, getstate, "($self, /)", "")
{
    Stateful *e = STATEFUL(self);
    unsigned char bytes[STATE_MAX] = {0};
    Py_ssize_t n = 0;
    if (e->pending_text) {
        const char *text = PyUnicode_AsUTF8AndSize(e->pending_text, &n);
        if (!text) return NULL;
        if (n > ENCODE_PENDING_MAX * 4) return PyErr_Format(PyExc_UnicodeError, "pending buffer too large");
        memcpy(bytes + 1, text, (size_t)n);
    }
    bytes[0] = (unsigned char)n;
    memcpy(bytes + 1 + n, e->state.c, sizeof e->state.c);
    return PyLong_FromUnsignedNativeBytes(bytes, 1 + (size_t)n + sizeof e->state.c, Py_ASNATIVEBYTES_LITTLE_ENDIAN);
}

static int state_bytes(PyObject *number, unsigned char *bytes, size_t size)
{
    Py_ssize_t need = PyLong_AsNativeBytes(number, bytes, (Py_ssize_t)size, STATE_FLAGS);
    if (need >= 0 && need <= (Py_ssize_t)size) return 0;
    if (need >= 0) PyErr_SetString(PyExc_OverflowError, "int too big to convert");
    else if (PyErr_ExceptionMatches(PyExc_ValueError)) PyErr_SetString(PyExc_OverflowError, "can't convert negative int to unsigned");
    return -1;
}

BUILTIN_O(encoder, setstate, "($self, state, /)", "")
{
    Stateful *e = STATEFUL(self);
    unsigned char bytes[STATE_MAX] = {0};
    PyObject *pending;
    if (!PyLong_Check(arg)) return PyErr_Format(PyExc_TypeError, "setstate() argument must be int, not %.50s", arg == Py_None ? "None" : Py_TYPE(arg)->tp_name);
    if (state_bytes(arg, bytes, sizeof bytes) < 0) return NULL;
    if (bytes[0] > ENCODE_PENDING_MAX * 4) return PyErr_Format(PyExc_UnicodeError, "pending buffer too large");
    if (!(pending = PyUnicode_DecodeUTF8((char *)bytes + 1, bytes[0], "strict"))) return NULL;
    SET_FIELD(e->pending_text, pending);
    memcpy(e->state.c, bytes + 1 + bytes[0], sizeof e->state.c);
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(encoder, reset, "($self, /)", "")
{
    Stateful *e = STATEFUL(self);
    unsigned char ignored[CJK_BYTES_MAX];
    if (e->codec->reset) e->codec->reset(&e->state, ignored);
    Py_CLEAR(e->pending_text);
    Py_RETURN_NONE;
}

/* ---- decoders ------------------------------------------------------------------------------------------------------------------------------------ */

/* data after what is pending. complete: at the end everything must have a meaning, else what was pending still is (not in a stream).
 * NEW text; *had bytes there were. */
static PyObject *stateful_decode(Stateful *self, const void *data, Py_ssize_t size, bool complete, Py_ssize_t *had)
{
    PyObject *text = NULL, *errors = Py_XNewRef(self->errors);
    int before = self->pending_count;
    unsigned char kept[DECODE_PENDING_MAX], *joined = NULL;
    Decoding d = { self->codec, &self->state, errors, data, size };
    memcpy(kept, self->pending, sizeof kept);
    if (before) {
        if (size > PY_SSIZE_T_MAX - before || !(joined = PyMem_Malloc((size_t)(size + before)))) {
            PyErr_NoMemory();
            goto done;
        }
        memcpy(joined, kept, (size_t)before);
        if (size) memcpy(joined + before, data, (size_t)size);
        d.in = joined;
        d.size = size + before;
        self->pending_count = 0;
    }
    if (had) *had = d.size;
    if (decode_run(&d) < 0) goto done;
    if (complete && d.at < d.size && decode_incomplete(&d) < 0) {
        if (!self->stream) {
            memcpy(self->pending, kept, sizeof kept);
            self->pending_count = before;
        }
        goto done;
    }
    if (d.size - d.at > DECODE_PENDING_MAX) {
        PyErr_SetString(PyExc_UnicodeError, "pending buffer overflow");
        goto done;
    }
    memcpy(self->pending, d.in + d.at, (size_t)(d.size - d.at));
    self->pending_count = (int)(d.size - d.at);
    text = decoding_text(&d);
done:
    PyMem_Free(joined);
    PyMem_Free(d.out);
    Py_XDECREF(errors);
    return text;
}

BUILTIN(decoder, decode, KEYWORDS, "($self, /, input, final=False)", "")
{
    Py_buffer view;
    int final = final_argument(arg[1]);
    if (final < 0 || PyObject_GetBuffer(arg[0], &view, PyBUF_SIMPLE) < 0) return NULL;
    PyObject *text = stateful_decode(STATEFUL(self), view.buf, view.len, final, NULL);
    PyBuffer_Release(&view);
    return text;
}

BUILTIN_NOARGS(decoder, getstate, "($self, /)", "")
{
    Stateful *d = STATEFUL(self);
    PyObject *pending = PyBytes_FromStringAndSize((char *)d->pending, d->pending_count);
    PyObject *number = PyLong_FromUnsignedNativeBytes(d->state.c, sizeof d->state.c, Py_ASNATIVEBYTES_LITTLE_ENDIAN);
    if (pending && number) return Py_BuildValue("NN", pending, number);
    Py_XDECREF(pending);
    Py_XDECREF(number);
    return NULL;
}

BUILTIN_O(decoder, setstate, "($self, state, /)", "")
{
    Stateful *d = STATEFUL(self);
    PyObject *pending, *number;
    unsigned char bytes[sizeof(CjkState)] = {0};
    if (!PyTuple_Check(arg)) return PyErr_Format(PyExc_TypeError, "setstate() argument must be tuple, not %.50s", arg == Py_None ? "None" : Py_TYPE(arg)->tp_name);
    if (!PyArg_ParseTuple(arg, "SO!;setstate(): illegal state argument", &pending, &PyLong_Type, &number)) return NULL;
    if (state_bytes(number, bytes, sizeof bytes) < 0) return NULL;
    if (PyBytes_GET_SIZE(pending) > DECODE_PENDING_MAX)
        return pending_error(d->codec, PyBytes_AS_STRING(pending), PyBytes_GET_SIZE(pending), "pending buffer too large");
    d->pending_count = (int)PyBytes_GET_SIZE(pending);
    memcpy(d->pending, PyBytes_AS_STRING(pending), (size_t)d->pending_count);
    memcpy(d->state.c, bytes, sizeof bytes);
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(decoder, reset, "($self, /)", "")
{
    state_init(STATEFUL(self)->codec, &STATEFUL(self)->state, true);
    STATEFUL(self)->pending_count = 0;
    Py_RETURN_NONE;
}

/* ---- streams ------------------------------------------------------------------------------------------------------------------------------------- */

/* hint < 0: all there is. Reads on byte by byte until at least one character is whole. */
static PyObject *read_stream(Stateful *self, const char *method, Py_ssize_t hint)
{
    if (hint == 0) return PyUnicode_FromString("");
    if (!self->stream) return PyErr_Format(PyExc_AttributeError, "stream");
    for (;;) {
        PyObject *data = hint < 0 ? PyObject_CallMethod(self->stream, method, NULL) : PyObject_CallMethod(self->stream, method, "n", hint);
        if (!data) return NULL;
        if (!PyBytes_Check(data)) {
            PyErr_Format(PyExc_TypeError, "stream function returned a non-bytes object (%.100s)", Py_TYPE(data)->tp_name);
            Py_DECREF(data);
            return NULL;
        }
        bool at_end = PyBytes_GET_SIZE(data) == 0;
        Py_ssize_t had = 0;
        PyObject *text = stateful_decode(self, PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data), at_end || hint < 0, &had);
        Py_DECREF(data);
        if (!text || hint < 0 || had == 0 || PyUnicode_GET_LENGTH(text)) return text;
        Py_DECREF(text);
        hint = 1;
    }
}

static int hint_argument(PyObject *arg, Py_ssize_t *size)
{
    *size = -1;
    if (!arg || arg == Py_None) return 0;
    if (!PyLong_Check(arg)) {
        PyErr_SetString(PyExc_TypeError, "arg 1 must be an integer");
        return -1;
    }
    *size = PyLong_AsSsize_t(arg);
    return *size == -1 && PyErr_Occurred() ? -1 : 0;
}

static PyObject *read_method(PyObject *self, PyObject *arg, const char *method)
{
    Py_ssize_t size;
    return hint_argument(arg, &size) < 0 ? NULL : read_stream(STATEFUL(self), method, size);
}

BUILTIN(reader, read, POSITIONAL, "($self, sizeobj=None, /)", "") { return read_method(self, arg[0], "read"); }
BUILTIN(reader, readline, POSITIONAL, "($self, sizeobj=None, /)", "") { return read_method(self, arg[0], "readline"); }

BUILTIN(reader, readlines, POSITIONAL, "($self, sizehintobj=None, /)", "")
{
    PyObject *text = read_method(self, arg[0], "read"), *lines = text ? PyUnicode_Splitlines(text, 1) : NULL;
    Py_XDECREF(text);
    return lines;
}

static int write_bytes(Stateful *self, PyObject *bytes)
{
    PyObject *written = bytes && self->stream ? PyObject_CallMethod(self->stream, "write", "O", bytes) : NULL;
    Py_XDECREF(bytes);
    Py_XDECREF(written);
    return written ? 0 : -1;
}

BUILTIN_O(writer, write, "($self, strobj, /)", "")
{
    if (write_bytes(STATEFUL(self), stateful_encode(STATEFUL(self), arg, false)) < 0) return NULL;
    Py_RETURN_NONE;
}

BUILTIN_O(writer, writelines, "($self, lines, /)", "")
{
    if (!PySequence_Check(arg)) return PyErr_Format(PyExc_TypeError, "arg must be a sequence object");
    for (Py_ssize_t i = 0; i < PySequence_Length(arg); i++) {
        PyObject *line = PySequence_GetItem(arg, i);
        int status = line ? write_bytes(STATEFUL(self), stateful_encode(STATEFUL(self), line, false)) : -1;
        Py_XDECREF(line);
        if (status < 0) return NULL;
    }
    if (PyErr_Occurred()) return NULL;
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(writer, reset, "($self, /)", "")
{
    Stateful *w = STATEFUL(self);
    PyObject *text = w->pending_text;
    if (!text) Py_RETURN_NONE;
    w->pending_text = NULL;
    PyObject *bytes = encode_text(w->codec, &w->state, text, w->errors, true, true, NULL);
    Py_DECREF(text);
    if (!bytes) return NULL;
    if (PyBytes_GET_SIZE(bytes) == 0) Py_DECREF(bytes);
    else if (write_bytes(w, bytes) < 0) return NULL;
    Py_RETURN_NONE;
}

/* ---- module -------------------------------------------------------------------------------------------------------------------------------------- */

static PyMethodDef encoder_methods[] = { METHOD(encoder, encode), METHOD(encoder, getstate), METHOD(encoder, setstate), METHOD(encoder, reset), {0} };
static PyMethodDef decoder_methods[] = { METHOD(decoder, decode), METHOD(decoder, getstate), METHOD(decoder, setstate), METHOD(decoder, reset), {0} };
static PyMethodDef reader_methods[] = { METHOD(reader, read), METHOD(reader, readline), METHOD(reader, readlines), METHOD(decoder, reset), {0} };
static PyMethodDef writer_methods[] = { METHOD(writer, write), METHOD(writer, writelines), METHOD(writer, reset), {0} };

#define STATEFUL_SLOTS(kind)                                                                                                                \
    SLOT(tp_dealloc, stateful_dealloc), SLOT(tp_getattro, PyObject_GenericGetAttr), SLOT(tp_traverse, stateful_traverse),                   \
    SLOT(tp_clear, stateful_clear), SLOT(tp_methods, kind##_methods), SLOT(tp_getset, stateful_getset), SLOT(tp_init, stateful_init),        \
    SLOT(tp_new, kind##_new)

static PyType_Slot encoder_slots[] = { STATEFUL_SLOTS(encoder), {0} };
static PyType_Slot decoder_slots[] = { STATEFUL_SLOTS(decoder), {0} };
static PyType_Slot reader_slots[] = { STATEFUL_SLOTS(reader), SLOT(tp_members, stream_members), {0} };
static PyType_Slot writer_slots[] = { STATEFUL_SLOTS(writer), SLOT(tp_members, stream_members), {0} };

#define STATEFUL_SPEC(type_name, kind) { .name = "_multibytecodec." type_name, .basicsize = sizeof(Stateful), .slots = kind##_slots,        \
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE }

static PyType_Spec stateful_specs[] = {
    STATEFUL_SPEC("MultibyteIncrementalEncoder", encoder), STATEFUL_SPEC("MultibyteIncrementalDecoder", decoder),
    STATEFUL_SPEC("MultibyteStreamReader", reader), STATEFUL_SPEC("MultibyteStreamWriter", writer),
};

static int multibytecodec_exec(PyObject *module)
{
    ModuleState *s = PyModule_GetState(module);
    if (!(s->codec = (PyTypeObject *)PyType_FromModuleAndSpec(module, &codec_spec, NULL))) return -1;
    for (size_t i = 0; i < ARRAY_LENGTH(stateful_specs); i++)
        if (module_add_type(module, &stateful_specs[i], NULL) < 0) return -1;
    return 0;
}

static int multibytecodec_traverse(PyObject *module, visitproc visit, void *arg)
{
    Py_VISIT(((ModuleState *)PyModule_GetState(module))->codec);
    return 0;
}

static int multibytecodec_clear(PyObject *module)
{
    Py_CLEAR(((ModuleState *)PyModule_GetState(module))->codec);
    return 0;
}

static void multibytecodec_free(void *module) { multibytecodec_clear(module); }

static PyMethodDef multibytecodec_methods[] = { { "__create_codec", create_codec, METH_O, "" }, {0} };
static PyModuleDef_Slot multibytecodec_slots[] = { SLOT(mod_exec, multibytecodec_exec), MODULE_SLOTS_COMMON, {0} };
static struct PyModuleDef multibytecodec_module = {
    PyModuleDef_HEAD_INIT, .m_name = "_multibytecodec", .m_size = sizeof(ModuleState), .m_methods = multibytecodec_methods,
    .m_slots = multibytecodec_slots, .m_traverse = multibytecodec_traverse, .m_clear = multibytecodec_clear, .m_free = multibytecodec_free,
};

PyMODINIT_FUNC PyInit__multibytecodec(void) { return PyModuleDef_Init(&multibytecodec_module); }
