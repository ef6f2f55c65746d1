/* The codec registry (codecs.register, lookup, encode, decode, register_error) and the built-in error handlers.
 *
 * The registry belongs to the interpreter. It is made on first use, which also imports "encodings", whose search function is
 * always the first. Handlers take the exception object and return (replacement, position to go on from). */
#include "objects/codecs.h"

#include "objects/unicode_data.h"
#include "objects/unicode_private.h"

static inline UnicodeState *codec_state(void) { return &interp_get()->objects.unicode; }

/* ---- the registry ----------------------------------------------------------------------------------------------------- */

bool codec_normalize_name(const char *name, char *out, size_t size)
{
    char *p = out, *end = out + size - 1;
    bool punctuation = false;
    for (; *name; name++) {
        if (!Py_ISALNUM(*name) && *name != '.') {
            punctuation = true;
            continue;
        }
        if (punctuation && p != out) {
            if (p == end) return false;
            *p++ = '_';
        }
        punctuation = false;
        if (p == end) return false;
        *p++ = (char)Py_TOLOWER(*name);
    }
    *p = 0;
    return true;
}

#define HANDLER(name, function) \
    static PyObject *name(PyObject *Py_UNUSED(self), PyObject *exception) { return function(exception); }

static PyObject *surrogatepass(PyObject *exception);
static PyObject *surrogateescape(PyObject *exception);

HANDLER(strict_errors, PyCodec_StrictErrors)
HANDLER(ignore_errors, PyCodec_IgnoreErrors)
HANDLER(replace_errors, PyCodec_ReplaceErrors)
HANDLER(xmlcharrefreplace_errors, PyCodec_XMLCharRefReplaceErrors)
HANDLER(backslashreplace_errors, PyCodec_BackslashReplaceErrors)
HANDLER(namereplace_errors, PyCodec_NameReplaceErrors)
HANDLER(surrogatepass_errors, surrogatepass)
HANDLER(surrogateescape_errors, surrogateescape)

static PyMethodDef handlers[] = {
    { "strict_errors", strict_errors, METH_O, "Raises the exception: the error handler 'strict'." },
    { "ignore_errors", ignore_errors, METH_O, "Leaves out what cannot be converted: the error handler 'ignore'." },
    { "replace_errors", replace_errors, METH_O, "Puts '?' or U+FFFD in place: the error handler 'replace'." },
    { "xmlcharrefreplace_errors", xmlcharrefreplace_errors, METH_O, "Puts &#...; in place: the error handler 'xmlcharrefreplace'." },
    { "backslashreplace_errors", backslashreplace_errors, METH_O, "Puts \\x.., \\u.... or \\U........ in place: the error handler 'backslashreplace'." },
    { "namereplace_errors", namereplace_errors, METH_O, "Puts \\N{...} in place: the error handler 'namereplace'." },
    { "surrogatepass", surrogatepass_errors, METH_O, "Lets surrogates through: the error handler 'surrogatepass'." },
    { "surrogateescape", surrogateescape_errors, METH_O, "Stores bytes as lone surrogates: the error handler 'surrogateescape'." },
};
static const char *const handler_names[] = {
    "strict", "ignore", "replace", "xmlcharrefreplace", "backslashreplace", "namereplace", "surrogatepass", "surrogateescape",
};

static PyObject *errors_dict(UnicodeState *u)
{
    if (u->codec_errors) return u->codec_errors;
    PyObject *dict = PyDict_New();
    for (size_t i = 0; dict && i < ARRAY_LENGTH(handlers); i++) {
        PyObject *function = PyCFunction_NewEx(&handlers[i], NULL, NULL);
        if (!function || PyDict_SetItemString(dict, handler_names[i], function) < 0) Py_CLEAR(dict);
        Py_XDECREF(function);
    }
    return u->codec_errors = dict;
}

/* Makes the registry of the current interpreter and imports "encodings", unless that is done. 0, or -1. */
static int codecs_init(void)
{
    UnicodeState *u = codec_state();
    if (u->codec_search_path) return 0;
    if (!errors_dict(u) || !(u->codec_search_cache = PyDict_New())) return -1;
    if (!(u->codec_search_path = PyList_New(0))) return -1;
    PyObject *encodings = PyImport_ImportModule("encodings");
    if (!encodings) {
        Py_CLEAR(u->codec_search_path);
        Py_CLEAR(u->codec_search_cache);
        return -1;
    }
    Py_DECREF(encodings);
    return 0;
}

/* "encodings" itself registers its search function while it is imported. */
int PyCodec_Register(PyObject *search_function)
{
    UnicodeState *u = codec_state();
    if (codecs_init() < 0) return -1;
    if (!search_function) {
        PyErr_BadArgument();
        return -1;
    }
    if (!PyCallable_Check(search_function)) {
        PyErr_SetString(PyExc_TypeError, "argument must be callable");
        return -1;
    }
    return PyList_Append(u->codec_search_path, search_function);
}

int PyCodec_Unregister(PyObject *search_function)
{
    UnicodeState *u = codec_state();
    PyObject *path = u->codec_search_path;
    if (!path) return 0;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(path); i++) {
        if (PyList_GET_ITEM(path, i) != search_function) continue;
        if (u->codec_search_cache) PyDict_Clear(u->codec_search_cache);
        return PyList_SetSlice(path, i, i + 1, NULL);
    }
    return 0;
}

static PyObject *search(PyObject *path, PyObject *name, const char *encoding)
{
    if (PyList_GET_SIZE(path) == 0) {
        PyErr_SetString(PyExc_LookupError, "no codec search functions registered: can't find encoding");
        return NULL;
    }
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(path); i++) {
        PyObject *function = Py_NewRef(PyList_GET_ITEM(path, i)), *codec = PyObject_CallOneArg(function, name);
        Py_DECREF(function);
        if (!codec) return NULL;
        if (codec == Py_None) {
            Py_DECREF(codec);
            continue;
        }
        if (PyTuple_Check(codec) && PyTuple_GET_SIZE(codec) == 4) return codec;
        PyErr_SetString(PyExc_TypeError, "codec search functions must return 4-tuples");
        Py_DECREF(codec);
        return NULL;
    }
    PyErr_Format(PyExc_LookupError, "unknown encoding: %s", encoding);
    return NULL;
}

PyObject *codec_lookup(const char *encoding)
{
    UnicodeState *u = codec_state();
    if (!encoding) {
        PyErr_BadArgument();
        return NULL;
    }
    if (codecs_init() < 0) return NULL;
    size_t size = strlen(encoding) + 1;
    char small[64], *normal = size <= sizeof small ? small : PyMem_Malloc(size);
    if (!normal) return PyErr_NoMemory();
    codec_normalize_name(encoding, normal, size);
    PyObject *name = PyUnicode_InternFromString(normal), *codec = NULL;
    if (normal != small) PyMem_Free(normal);
    if (!name) return NULL;
    if ((codec = PyDict_GetItemWithError(u->codec_search_cache, name))) Py_INCREF(codec);
    else if (!PyErr_Occurred() && (codec = search(u->codec_search_path, name, encoding)) &&
             PyDict_SetItem(u->codec_search_cache, name, codec) < 0) Py_CLEAR(codec);
    Py_DECREF(name);
    return codec;
}

int PyCodec_KnownEncoding(const char *encoding)
{
    PyObject *codec = codec_lookup(encoding);
    if (!codec) {
        PyErr_Clear();
        return 0;
    }
    Py_DECREF(codec);
    return 1;
}

PyObject *codec_lookup_text(const char *encoding, const char *alternate)
{
    PyObject *codec = codec_lookup(encoding), *flag;
    if (!codec || PyTuple_CheckExact(codec)) return codec;
    if (PyObject_GetOptionalAttrString(codec, "_is_text_encoding", &flag) < 0) goto failed;
    if (flag) {
        int is_text = PyObject_IsTrue(flag);
        Py_DECREF(flag);
        if (is_text < 0) goto failed;
        if (!is_text) {
            PyErr_Format(PyExc_LookupError, "'%.400s' is not a text encoding; use %s to handle arbitrary codecs", encoding, alternate);
            goto failed;
        }
    }
    return codec;
failed:
    Py_DECREF(codec);
    return NULL;
}

static PyObject *part_of(PyObject *codec, Py_ssize_t i)     /* steals codec */
{
    if (!codec) return NULL;
    PyObject *part = Py_NewRef(PyTuple_GET_ITEM(codec, i));
    Py_DECREF(codec);
    return part;
}

PyObject *PyCodec_Encoder(const char *encoding) { return part_of(codec_lookup(encoding), 0); }
PyObject *PyCodec_Decoder(const char *encoding) { return part_of(codec_lookup(encoding), 1); }

static PyObject *stream(PyObject *maker, PyObject *file, const char *errors)       /* steals maker */
{
    if (!maker) return NULL;
    PyObject *result = errors ? PyObject_CallFunction(maker, "Os", file, errors) : PyObject_CallOneArg(maker, file);
    Py_DECREF(maker);
    return result;
}

PyObject *PyCodec_StreamReader(const char *encoding, PyObject *file, const char *errors)
{
    return stream(part_of(codec_lookup(encoding), 2), file, errors);
}

PyObject *PyCodec_StreamWriter(const char *encoding, PyObject *file, const char *errors)
{
    return stream(part_of(codec_lookup(encoding), 3), file, errors);
}

static PyObject *incremental(const char *encoding, const char *errors, const char *attribute)
{
    PyObject *codec = codec_lookup(encoding), *maker = codec ? PyObject_GetAttrString(codec, attribute) : NULL, *result = NULL;
    if (maker) result = errors ? PyObject_CallFunction(maker, "s", errors) : PyObject_CallNoArgs(maker);
    Py_XDECREF(maker);
    Py_XDECREF(codec);
    return result;
}

PyObject *PyCodec_IncrementalEncoder(const char *encoding, const char *errors) { return incremental(encoding, errors, "incrementalencoder"); }
PyObject *PyCodec_IncrementalDecoder(const char *encoding, const char *errors) { return incremental(encoding, errors, "incrementaldecoder"); }

/* Tells on the exception which codec was at work. */
static void note_codec(const char *doing, const char *encoding)
{
    PyObject *exception = PyErr_GetRaisedException(), *note = PyUnicode_FromFormat("%s with '%s' codec failed", doing, encoding);
    PyObject *result = note && exception ? PyObject_CallMethodOneArg(exception, STR(add_note), note) : NULL;
    Py_XDECREF(note);
    if (!result) PyErr_Clear();
    Py_XDECREF(result);
    PyErr_SetRaisedException(exception);
}

/* function(object[, errors])[0]; steals function. */
static PyObject *convert(PyObject *function, PyObject *object, const char *encoding, const char *errors, bool encode)
{
    if (!function) return NULL;
    PyObject *answer = errors ? PyObject_CallFunction(function, "Os", object, errors) : PyObject_CallOneArg(function, object), *result = NULL;
    if (!answer) note_codec(encode ? "encoding" : "decoding", encoding);
    else if (!PyTuple_Check(answer) || PyTuple_GET_SIZE(answer) != 2)
        PyErr_SetString(PyExc_TypeError, encode ? "encoder must return a tuple (object, integer)" : "decoder must return a tuple (object,integer)");
    else result = Py_NewRef(PyTuple_GET_ITEM(answer, 0));
    Py_XDECREF(answer);
    Py_DECREF(function);
    return result;
}

PyObject *PyCodec_Encode(PyObject *object, const char *encoding, const char *errors)
{
    return convert(PyCodec_Encoder(encoding), object, encoding, errors, true);
}

PyObject *PyCodec_Decode(PyObject *object, const char *encoding, const char *errors)
{
    return convert(PyCodec_Decoder(encoding), object, encoding, errors, false);
}

PyObject *codec_encode_text(PyObject *object, const char *encoding, const char *errors)
{
    return convert(part_of(codec_lookup_text(encoding, "codecs.encode()"), 0), object, encoding, errors, true);
}

PyObject *codec_decode_text(PyObject *object, const char *encoding, const char *errors)
{
    return convert(part_of(codec_lookup_text(encoding, "codecs.decode()"), 1), object, encoding, errors, false);
}

/* ---- error handlers: the registry ------------------------------------------------------------------------------------- */

int PyCodec_RegisterError(const char *name, PyObject *handler)
{
    PyObject *dict = errors_dict(codec_state());
    if (!dict) return -1;
    if (!PyCallable_Check(handler)) {
        PyErr_SetString(PyExc_TypeError, "handler must be callable");
        return -1;
    }
    return PyDict_SetItemString(dict, name, handler);
}

PyObject *PyCodec_LookupError(const char *name)
{
    PyObject *dict = errors_dict(codec_state()), *key, *handler;
    if (!dict) return NULL;
    if (!name) name = "strict";
    if (!(key = PyUnicode_FromString(name))) return NULL;
    handler = PyDict_GetItemWithError(dict, key);
    Py_DECREF(key);
    if (handler) return Py_NewRef(handler);
    if (!PyErr_Occurred()) PyErr_Format(PyExc_LookupError, "unknown error handler name '%.400s'", name);
    return NULL;
}

/* ---- error handlers: the built-in ones ------------------------------------------------------------------------------------ */

typedef enum Direction { ENCODING, DECODING, TRANSLATING, NEITHER } Direction;

/* What went wrong where. release_fault when done. */
typedef struct Fault {
    Direction direction;
    PyObject *object;                                       /* owned: str, or bytes when decoding */
    Py_ssize_t start, end;
} Fault;

static int get_fault(PyObject *exception, Fault *f)
{
    memset(f, 0, sizeof *f);
    if (PyObject_TypeCheck(exception, (PyTypeObject *)PyExc_UnicodeEncodeError)) {
        f->direction = ENCODING;
        if (PyUnicodeEncodeError_GetStart(exception, &f->start) < 0 || PyUnicodeEncodeError_GetEnd(exception, &f->end) < 0) return -1;
        f->object = PyUnicodeEncodeError_GetObject(exception);
    }
    else if (PyObject_TypeCheck(exception, (PyTypeObject *)PyExc_UnicodeDecodeError)) {
        f->direction = DECODING;
        if (PyUnicodeDecodeError_GetStart(exception, &f->start) < 0 || PyUnicodeDecodeError_GetEnd(exception, &f->end) < 0) return -1;
        f->object = PyUnicodeDecodeError_GetObject(exception);
    }
    else if (PyObject_TypeCheck(exception, (PyTypeObject *)PyExc_UnicodeTranslateError)) {
        f->direction = TRANSLATING;
        if (PyUnicodeTranslateError_GetStart(exception, &f->start) < 0 || PyUnicodeTranslateError_GetEnd(exception, &f->end) < 0) return -1;
        f->object = PyUnicodeTranslateError_GetObject(exception);
    }
    else {
        f->direction = NEITHER;
        return 0;
    }
    if (!f->object) return -1;
    Py_ssize_t size = f->direction == DECODING ? PyBytes_GET_SIZE(f->object) : LENGTH(f->object);
    if (f->end > size) f->end = size;
    if (f->start > f->end) f->start = f->end;
    if (f->start < 0) f->start = 0;
    return 0;
}

static PyObject *wrong_type(PyObject *exception)
{
    PyErr_Format(PyExc_TypeError, "don't know how to handle %.200s in error callback", Py_TYPE(exception)->tp_name);
    return NULL;
}

/* Steals text; releases the fault. */
static PyObject *answer(Fault *f, PyObject *text, Py_ssize_t position)
{
    Py_CLEAR(f->object);
    return text ? Py_BuildValue("(Nn)", text, position) : NULL;
}

static PyObject *reraise(Fault *f, PyObject *exception)
{
    Py_CLEAR(f->object);
    PyErr_SetObject((PyObject *)Py_TYPE(exception), exception);
    return NULL;
}

PyObject *PyCodec_StrictErrors(PyObject *exception)
{
    if (PyExceptionInstance_Check(exception)) PyErr_SetObject(PyExceptionInstance_Class(exception), exception);
    else PyErr_SetString(PyExc_TypeError, "codec must pass exception instance");
    return NULL;
}

PyObject *PyCodec_IgnoreErrors(PyObject *exception)
{
    Fault f;
    if (get_fault(exception, &f) < 0) return NULL;
    return f.direction == NEITHER ? wrong_type(exception) : answer(&f, EMPTY_STR, f.end);
}

PyObject *PyCodec_ReplaceErrors(PyObject *exception)
{
    Fault f;
    if (get_fault(exception, &f) < 0) return NULL;
    if (f.direction == NEITHER) return wrong_type(exception);
    Py_UCS4 c = f.direction == ENCODING ? '?' : 0xfffd;
    Py_ssize_t n = f.direction == DECODING ? 1 : f.end - f.start;
    PyObject *text = n == 1 ? str_from_char(c) : PyUnicode_New(n, c);
    if (text && n > 1) chars_fill(KIND(text), DATA(text), c, n);
    return answer(&f, text, f.end);
}

PyObject *PyCodec_XMLCharRefReplaceErrors(PyObject *exception)
{
    Fault f;
    if (get_fault(exception, &f) < 0) return NULL;
    if (f.direction != ENCODING) {
        Py_CLEAR(f.object);
        return wrong_type(exception);
    }
    _PyUnicodeWriter w;
    _PyUnicodeWriter_Init(&w);
    w.overallocate = 1;
    for (Py_ssize_t i = f.start; i < f.end; i++) {
        char text[16];
        int n = snprintf(text, sizeof text, "&#%u;", (unsigned)PyUnicode_READ_CHAR(f.object, i));
        if (_PyUnicodeWriter_WriteASCIIString(&w, text, n) < 0) {
            _PyUnicodeWriter_Dealloc(&w);
            return answer(&f, NULL, 0);
        }
    }
    return answer(&f, _PyUnicodeWriter_Finish(&w), f.end);
}

static int write_backslash(_PyUnicodeWriter *w, Py_UCS4 c)
{
    char text[16];
    int n = snprintf(text, sizeof text, c < 0x100 ? "\\x%02x" : c < 0x10000 ? "\\u%04x" : "\\U%08x", (unsigned)c);
    return _PyUnicodeWriter_WriteASCIIString(w, text, n);
}

PyObject *PyCodec_BackslashReplaceErrors(PyObject *exception)
{
    Fault f;
    if (get_fault(exception, &f) < 0) return NULL;
    if (f.direction == NEITHER) return wrong_type(exception);
    _PyUnicodeWriter w;
    _PyUnicodeWriter_Init(&w);
    w.overallocate = 1;
    for (Py_ssize_t i = f.start; i < f.end; i++) {
        Py_UCS4 c = f.direction == DECODING ? (unsigned char)PyBytes_AS_STRING(f.object)[i] : PyUnicode_READ_CHAR(f.object, i);
        if (write_backslash(&w, c) < 0) {
            _PyUnicodeWriter_Dealloc(&w);
            return answer(&f, NULL, 0);
        }
    }
    return answer(&f, _PyUnicodeWriter_Finish(&w), f.end);
}

PyObject *PyCodec_NameReplaceErrors(PyObject *exception)
{
    Fault f;
    if (get_fault(exception, &f) < 0) return NULL;
    if (f.direction != ENCODING) {
        Py_CLEAR(f.object);
        return wrong_type(exception);
    }
    _PyUnicodeWriter w;
    _PyUnicodeWriter_Init(&w);
    w.overallocate = 1;
    for (Py_ssize_t i = f.start; i < f.end; i++) {
        Py_UCS4 c = PyUnicode_READ_CHAR(f.object, i);
        char name[256];
        int status;
        if (!unicode_name(c, name, sizeof name, false)) status = write_backslash(&w, c);
        else {
            status = _PyUnicodeWriter_WriteASCIIString(&w, "\\N{", 3);
            if (status == 0) status = _PyUnicodeWriter_WriteASCIIString(&w, name, -1);
            if (status == 0) status = _PyUnicodeWriter_WriteChar(&w, '}');
        }
        if (status < 0) {
            _PyUnicodeWriter_Dealloc(&w);
            return answer(&f, NULL, 0);
        }
    }
    return answer(&f, _PyUnicodeWriter_Finish(&w), f.end);
}

/* ---- surrogates ------------------------------------------------------------------------------------------------------------ */

typedef enum StandardEncoding { NOT_STANDARD, UTF8, UTF16_LE, UTF16_BE, UTF32_LE, UTF32_BE } StandardEncoding;

static StandardEncoding standard_encoding(const char *name)
{
    char normal[32];
    bool big = PY_BIG_ENDIAN;
    if (!codec_normalize_name(name, normal, sizeof normal) || strncmp(normal, "utf", 3) != 0) return NOT_STANDARD;
    const char *p = normal + 3;
    if (*p == '_') p++;
    if (strcmp(p, "8") == 0) return UTF8;
    int width = strncmp(p, "16", 2) == 0 ? 16 : strncmp(p, "32", 2) == 0 ? 32 : 0;
    if (!width) return NOT_STANDARD;
    p += 2;
    if (*p == '_') p++;
    if (*p) {
        if (strcmp(p, "be") == 0) big = true;
        else if (strcmp(p, "le") == 0) big = false;
        else return NOT_STANDARD;
    }
    return width == 16 ? (big ? UTF16_BE : UTF16_LE) : big ? UTF32_BE : UTF32_LE;
}

static int unit_size(StandardEncoding e) { return e == UTF8 ? 3 : e == UTF16_LE || e == UTF16_BE ? 2 : 4; }

static void put_surrogate(StandardEncoding e, unsigned char *p, Py_UCS4 c)
{
    unsigned char low = c & 0xff, high = (unsigned char)(c >> 8);
    switch (e) {
        case UTF8: p[0] = 0xe0 | c >> 12; p[1] = 0x80 | (c >> 6 & 0x3f); p[2] = 0x80 | (c & 0x3f); break;
        case UTF16_LE: p[0] = low; p[1] = high; break;
        case UTF16_BE: p[0] = high; p[1] = low; break;
        case UTF32_LE: p[0] = low; p[1] = high; p[2] = p[3] = 0; break;
        default: p[0] = p[1] = 0; p[2] = high; p[3] = low; break;
    }
}

static Py_UCS4 get_surrogate(StandardEncoding e, const unsigned char *p)
{
    switch (e) {
        case UTF8:
            if ((p[0] & 0xf0) != 0xe0 || (p[1] & 0xc0) != 0x80 || (p[2] & 0xc0) != 0x80) return 0;
            return (Py_UCS4)(p[0] & 0xf) << 12 | (Py_UCS4)(p[1] & 0x3f) << 6 | (p[2] & 0x3f);
        case UTF16_LE: return (Py_UCS4)p[1] << 8 | p[0];
        case UTF16_BE: return (Py_UCS4)p[0] << 8 | p[1];
        case UTF32_LE: return (Py_UCS4)p[3] << 24 | (Py_UCS4)p[2] << 16 | (Py_UCS4)p[1] << 8 | p[0];
        default: return (Py_UCS4)p[0] << 24 | (Py_UCS4)p[1] << 16 | (Py_UCS4)p[2] << 8 | p[3];
    }
}

static PyObject *surrogatepass(PyObject *exception)
{
    Fault f;
    if (get_fault(exception, &f) < 0) return NULL;
    if (f.direction != ENCODING && f.direction != DECODING) {
        Py_CLEAR(f.object);
        return wrong_type(exception);
    }
    PyObject *name = f.direction == ENCODING ? PyUnicodeEncodeError_GetEncoding(exception) : PyUnicodeDecodeError_GetEncoding(exception);
    const char *encoding = name ? PyUnicode_AsUTF8(name) : NULL;
    if (!encoding) {
        Py_XDECREF(name);
        return answer(&f, NULL, 0);
    }
    StandardEncoding e = standard_encoding(encoding);
    Py_DECREF(name);
    if (e == NOT_STANDARD) return reraise(&f, exception);
    int unit = unit_size(e);
    if (f.direction == ENCODING) {
        PyObject *bytes = PyBytes_FromStringAndSize(NULL, unit * (f.end - f.start));
        if (!bytes) return answer(&f, NULL, 0);
        unsigned char *out = (unsigned char *)PyBytes_AS_STRING(bytes);
        for (Py_ssize_t i = f.start; i < f.end; i++, out += unit) {
            Py_UCS4 c = PyUnicode_READ_CHAR(f.object, i);
            if (!Py_UNICODE_IS_SURROGATE(c)) {
                Py_DECREF(bytes);
                return reraise(&f, exception);
            }
            put_surrogate(e, out, c);
        }
        return answer(&f, bytes, f.end);
    }
    Py_UCS4 c = 0;
    if (PyBytes_GET_SIZE(f.object) - f.start >= unit) c = get_surrogate(e, (const unsigned char *)PyBytes_AS_STRING(f.object) + f.start);
    if (!Py_UNICODE_IS_SURROGATE(c)) return reraise(&f, exception);
    return answer(&f, str_from_char(c), f.start + unit);
}

static PyObject *surrogateescape(PyObject *exception)
{
    Fault f;
    if (get_fault(exception, &f) < 0) return NULL;
    if (f.direction == ENCODING) {
        PyObject *bytes = PyBytes_FromStringAndSize(NULL, f.end - f.start);
        if (!bytes) return answer(&f, NULL, 0);
        for (Py_ssize_t i = f.start; i < f.end; i++) {
            Py_UCS4 c = PyUnicode_READ_CHAR(f.object, i);
            if (c < 0xdc80 || c > 0xdcff) {
                Py_DECREF(bytes);
                return reraise(&f, exception);
            }
            PyBytes_AS_STRING(bytes)[i - f.start] = (char)(c - 0xdc00);
        }
        return answer(&f, bytes, f.end);
    }
    if (f.direction == DECODING) {
        Py_UCS2 chars[4];
        Py_ssize_t n = 0;
        const unsigned char *p = (const unsigned char *)PyBytes_AS_STRING(f.object) + f.start;
        while (n < 4 && n < f.end - f.start && p[n] >= 128) {       /* ASCII is never escaped */
            chars[n] = (Py_UCS2)(0xdc00 + p[n]);
            n++;
        }
        if (n == 0) return reraise(&f, exception);
        return answer(&f, str_from_ucs2(chars, n), f.start + n);
    }
    Py_CLEAR(f.object);
    return wrong_type(exception);
}
