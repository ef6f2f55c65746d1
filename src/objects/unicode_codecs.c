/* str from bytes and back: choosing the codec, Latin-1 and ASCII, the file system's and the locale's encoding. */
#include "objects/unicode_codecs.h"

#include "objects/bytes.h"
#include "objects/codecs.h"
#include "objects/unicode_private.h"

#include <wchar.h>

/* ---- choosing ----------------------------------------------------------------------------------------------------------- */

typedef enum KnownCodec { CODEC_OTHER, CODEC_UTF8, CODEC_UTF16, CODEC_UTF32, CODEC_ASCII, CODEC_LATIN1 } KnownCodec;

static KnownCodec known_codec(const char *encoding)
{
    char name[16];
    if (!encoding) return CODEC_UTF8;
    if (!codec_normalize_name(encoding, name, sizeof name)) return CODEC_OTHER;
    if (strncmp(name, "utf", 3) == 0) {
        const char *p = name + 3;
        if (*p == '_') p++;
        if (strcmp(p, "8") == 0) return CODEC_UTF8;
        if (strcmp(p, "16") == 0) return CODEC_UTF16;
        if (strcmp(p, "32") == 0) return CODEC_UTF32;
        return CODEC_OTHER;
    }
    if (strcmp(name, "ascii") == 0 || strcmp(name, "us_ascii") == 0) return CODEC_ASCII;
    if (strcmp(name, "latin1") == 0 || strcmp(name, "latin_1") == 0 || strcmp(name, "iso_8859_1") == 0 || strcmp(name, "iso8859_1") == 0)
        return CODEC_LATIN1;
    return CODEC_OTHER;
}

/* Development mode checks the names even where they would not matter. */
static NOINLINE COLD int check_names_slow(const char *encoding, const char *errors)
{
    if (!interp_get()->objects.unicode.codec_search_path) return 0;     /* still starting */
    if (encoding && known_codec(encoding) == CODEC_OTHER) {
        PyObject *codec = codec_lookup(encoding);
        if (!codec) return -1;
        Py_DECREF(codec);
    }
    if (errors && errors_kind(errors) == ERRORS_OTHER) {
        PyObject *handler = PyCodec_LookupError(errors);
        if (!handler) return -1;
        Py_DECREF(handler);
    }
    return 0;
}

static inline int check_names(const char *encoding, const char *errors)
{
    if (LIKELY(!interp_get()->runtime.config.dev_mode)) return 0;
    return check_names_slow(encoding, errors);
}

PyObject *PyUnicode_Decode(const char *p, Py_ssize_t n, const char *encoding, const char *errors)
{
    if (check_names(encoding, errors) < 0) return NULL;
    switch (known_codec(encoding)) {
        case CODEC_UTF8: return PyUnicode_DecodeUTF8Stateful(p, n, errors, NULL);
        case CODEC_UTF16: return PyUnicode_DecodeUTF16(p, n, errors, NULL);
        case CODEC_UTF32: return PyUnicode_DecodeUTF32(p, n, errors, NULL);
        case CODEC_ASCII: return PyUnicode_DecodeASCII(p, n, errors);
        case CODEC_LATIN1: return PyUnicode_DecodeLatin1(p, n, errors);
        default: break;
    }
    Py_buffer info;
    if (PyBuffer_FillInfo(&info, NULL, (void *)p, n, 1, PyBUF_FULL_RO) < 0) return NULL;
    PyObject *buffer = PyMemoryView_FromBuffer(&info), *result = buffer ? codec_decode_text(buffer, encoding, errors) : NULL;
    Py_XDECREF(buffer);
    if (result && !PyUnicode_Check(result)) {
        PyErr_Format(PyExc_TypeError, "'%.400s' decoder returned '%.400s' instead of 'str'; use codecs.decode() to decode to arbitrary types",
                     encoding, Py_TYPE(result)->tp_name);
        Py_CLEAR(result);
    }
    return result;
}

PyObject *PyUnicode_AsEncodedString(PyObject *s, const char *encoding, const char *errors)
{
    if (!PyUnicode_Check(s)) {
        PyErr_BadArgument();
        return NULL;
    }
    if (check_names(encoding, errors) < 0) return NULL;
    switch (known_codec(encoding)) {
        case CODEC_UTF8: return _PyUnicode_AsUTF8String(s, errors);
        case CODEC_UTF16: return _PyUnicode_EncodeUTF16(s, errors, 0);
        case CODEC_UTF32: return _PyUnicode_EncodeUTF32(s, errors, 0);
        case CODEC_ASCII: return ascii_encode(s, errors);
        case CODEC_LATIN1: return latin1_encode(s, errors);
        default: break;
    }
    PyObject *result = codec_encode_text(s, encoding, errors);
    if (!result || PyBytes_Check(result)) return result;
    if (PyByteArray_Check(result)) {
        PyObject *bytes = NULL;
        if (PyErr_WarnFormat(PyExc_RuntimeWarning, 1,
                             "encoder %s returned bytearray instead of bytes; use codecs.encode() to encode to arbitrary types", encoding) == 0)
            bytes = PyBytes_FromStringAndSize(PyByteArray_AS_STRING(result), PyByteArray_GET_SIZE(result));
        Py_DECREF(result);
        return bytes;
    }
    PyErr_Format(PyExc_TypeError, "'%.400s' encoder returned '%.400s' instead of 'bytes'; use codecs.encode() to encode to arbitrary types",
                 encoding, Py_TYPE(result)->tp_name);
    Py_DECREF(result);
    return NULL;
}

PyObject *PyUnicode_FromEncodedObject(PyObject *o, const char *encoding, const char *errors)
{
    if (!o) {
        PyErr_BadInternalCall();
        return NULL;
    }
    if (PyBytes_Check(o)) {
        if (PyBytes_GET_SIZE(o) == 0) return check_names(encoding, errors) < 0 ? NULL : EMPTY_STR;
        return PyUnicode_Decode(PyBytes_AS_STRING(o), PyBytes_GET_SIZE(o), encoding, errors);
    }
    if (PyUnicode_Check(o)) {
        PyErr_SetString(PyExc_TypeError, "decoding str is not supported");
        return NULL;
    }
    Py_buffer view;
    if (PyObject_GetBuffer(o, &view, PyBUF_SIMPLE) < 0) {
        PyErr_Format(PyExc_TypeError, "decoding to str: need a bytes-like object, %.80s found", Py_TYPE(o)->tp_name);
        return NULL;
    }
    PyObject *s = view.len == 0 ? (check_names(encoding, errors) < 0 ? NULL : EMPTY_STR) : PyUnicode_Decode(view.buf, view.len, encoding, errors);
    PyBuffer_Release(&view);
    return s;
}

const char *PyUnicode_GetDefaultEncoding(void) { return "utf-8"; }

/* ---- deprecated --------------------------------------------------------------------------------------------------------- */

static int deprecated(PyObject *s, const char *what)
{
    if (!PyUnicode_Check(s)) {
        PyErr_BadArgument();
        return -1;
    }
    return PyErr_WarnEx(PyExc_DeprecationWarning, what, 1);
}

PyObject *PyUnicode_AsDecodedObject(PyObject *s, const char *encoding, const char *errors)
{
    if (deprecated(s, "PyUnicode_AsDecodedObject() is deprecated; use PyCodec_Decode() to decode from str") < 0) return NULL;
    return PyCodec_Decode(s, encoding ? encoding : "utf-8", errors);
}

PyObject *PyUnicode_AsEncodedObject(PyObject *s, const char *encoding, const char *errors)
{
    if (deprecated(s, "PyUnicode_AsEncodedObject() is deprecated; use PyUnicode_AsEncodedString() to encode from str to bytes "
                      "or PyCodec_Encode() for generic encoding") < 0) return NULL;
    return PyCodec_Encode(s, encoding ? encoding : "utf-8", errors);
}

static PyObject *require_str_result(PyObject *v, const char *encoding, const char *what)
{
    if (!v || PyUnicode_Check(v)) return v;
    PyErr_Format(PyExc_TypeError, "'%.400s' %s returned '%.400s' instead of 'str'; use codecs.%s() to %s to arbitrary types", encoding,
                 what[0] == 'd' ? "decoder" : "encoder", Py_TYPE(v)->tp_name, what, what);
    Py_DECREF(v);
    return NULL;
}

PyObject *PyUnicode_AsDecodedUnicode(PyObject *s, const char *encoding, const char *errors)
{
    if (deprecated(s, "PyUnicode_AsDecodedUnicode() is deprecated; use PyCodec_Decode() to decode from str to str") < 0) return NULL;
    if (!encoding) encoding = "utf-8";
    return require_str_result(PyCodec_Decode(s, encoding, errors), encoding, "decode");
}

PyObject *PyUnicode_AsEncodedUnicode(PyObject *s, const char *encoding, const char *errors)
{
    if (deprecated(s, "PyUnicode_AsEncodedUnicode() is deprecated; use PyCodec_Encode() to encode from str to str") < 0) return NULL;
    if (!encoding) encoding = "utf-8";
    return require_str_result(PyCodec_Encode(s, encoding, errors), encoding, "encode");
}

/* ---- Latin-1 and ASCII -------------------------------------------------------------------------------------------------- */

PyObject *PyUnicode_DecodeLatin1(const char *p, Py_ssize_t n, const char *Py_UNUSED(errors)) { return str_from_latin1((const Py_UCS1 *)p, n); }

static PyObject *ascii_decode_slow(const char *p, Py_ssize_t n, const char *errors)
{
    CodecRun run = codec_run("ascii", errors);
    ErrorHandler kind = errors_kind(errors);
    DecodeInput input = { p, p + n, NULL };
    _PyUnicodeWriter w;
    _PyUnicodeWriter_Init(&w);
    w.overallocate = 1;
    w.min_length = n;
    while (p < input.end) {
        Py_ssize_t good = (Py_ssize_t)ascii_prefix((const unsigned char *)p, (const unsigned char *)input.end);
        if (_PyUnicodeWriter_WriteASCIIString(&w, p, good) < 0) goto failed;
        if ((p += good) == input.end) break;
        if (kind == ERRORS_REPLACE || kind == ERRORS_SURROGATEESCAPE) {
            if (_PyUnicodeWriter_WriteChar(&w, kind == ERRORS_REPLACE ? 0xfffd : 0xdc00u + (unsigned char)*p) < 0) goto failed;
            p++;
            continue;
        }
        if (kind == ERRORS_IGNORE) {
            p++;
            continue;
        }
        Py_ssize_t at = p - input.start, resume;
        PyObject *text = codec_decode_error(&run, "ordinal not in range(128)", &input, at, at + 1, &resume);
        if (!text) goto failed;
        int status = _PyUnicodeWriter_WriteStr(&w, text);
        Py_DECREF(text);
        if (status < 0) goto failed;
        p = input.start + resume;
    }
    codec_run_clear(&run);
    Py_XDECREF(input.replaced);
    return _PyUnicodeWriter_Finish(&w);
failed:
    codec_run_clear(&run);
    Py_XDECREF(input.replaced);
    _PyUnicodeWriter_Dealloc(&w);
    return NULL;
}

PyObject *PyUnicode_DecodeASCII(const char *p, Py_ssize_t n, const char *errors)
{
    return is_ascii_bytes(p, (size_t)n) ? str_from_ascii(p, n) : ascii_decode_slow(p, n, errors);
}

typedef struct NarrowCodec { const char *name, *reason; Py_UCS4 limit; } NarrowCodec;

static const NarrowCodec latin1_codec = { "latin-1", "ordinal not in range(256)", 256 };
static const NarrowCodec ascii_codec = { "ascii", "ordinal not in range(128)", 128 };

/* A handler's answer; s[start:end] is what it stands for. */
static int write_answer(BytesBuilder *b, const NarrowCodec *codec, CodecRun *run, PyObject *answer, PyObject *s, Py_ssize_t start, Py_ssize_t end)
{
    int status = -1;
    if (PyBytes_Check(answer)) status = bytes_builder_write(b, PyBytes_AS_STRING(answer), PyBytes_GET_SIZE(answer));
    else {
        Py_ssize_t n = LENGTH(answer);
        for (status = 0; status == 0 && n-- > 0;) {
            Py_UCS4 c = PyUnicode_READ_CHAR(answer, LENGTH(answer) - n - 1);
            if (c < codec->limit) status = bytes_builder_byte(b, (char)c);
            else {
                codec_raise_encode_error(run, codec->reason, s, start, end);
                status = -1;
            }
        }
    }
    Py_DECREF(answer);
    return status;
}

/* s[start:end] are beyond the limit. Returns where to go on, or -1. */
static Py_ssize_t narrow_error(BytesBuilder *b, const NarrowCodec *codec, CodecRun *run, ErrorHandler kind, PyObject *s, Py_ssize_t start, Py_ssize_t end)
{
    switch (kind) {
        case ERRORS_IGNORE: return end;
        case ERRORS_REPLACE: return bytes_builder_fill(b, '?', end - start) < 0 ? -1 : end;
        case ERRORS_BACKSLASHREPLACE: case ERRORS_XMLCHARREFREPLACE:
            for (; start < end; start++) {
                char text[16];
                unsigned c = PyUnicode_READ_CHAR(s, start);
                int n = snprintf(text, sizeof text, kind == ERRORS_XMLCHARREFREPLACE ? "&#%u;" : c < 0x100 ? "\\x%02x" : c < 0x10000 ? "\\u%04x" : "\\U%08x", c);
                if (bytes_builder_write(b, text, n) < 0) return -1;
            }
            return end;
        case ERRORS_SURROGATEESCAPE:
            for (; start < end; start++) {
                Py_UCS4 c = PyUnicode_READ_CHAR(s, start);
                if (c < 0xdc80 || c > 0xdcff) break;
                if (bytes_builder_byte(b, (char)(c - 0xdc00)) < 0) return -1;
            }
            if (start == end) return end;
            break;
        default: break;
    }
    Py_ssize_t resume;
    PyObject *answer = codec_encode_error(run, codec->reason, s, start, end, &resume);
    if (!answer || write_answer(b, codec, run, answer, s, start, end) < 0) return -1;
    return resume;
}

static PyObject *narrow_encode(PyObject *s, const char *errors, const NarrowCodec *codec)
{
    CodecRun run = codec_run(codec->name, errors);
    ErrorHandler handler = errors_kind(errors);
    Py_ssize_t n = LENGTH(s), i = 0;
    int kind = KIND(s);
    const void *data = DATA(s);
    BytesBuilder b;
    if (n == 0) return EMPTY_BYTES;
    if (bytes_builder_init(&b, n) < 0) return NULL;
    while (i < n) {
        Py_ssize_t start = i;
        while (i < n && PyUnicode_READ(kind, data, i) < codec->limit) i++;
        char *out = bytes_builder_room(&b, i - start);
        if (!out) goto failed;
        chars_convert(kind, chars_at(kind, data, start), 1, out, i - start);
        b.used += i - start;
        for (start = i; i < n && PyUnicode_READ(kind, data, i) >= codec->limit;) i++;
        if (start < i && (i = narrow_error(&b, codec, &run, handler, s, start, i)) < 0) goto failed;
    }
    codec_run_clear(&run);
    return bytes_builder_finish(&b);
failed:
    codec_run_clear(&run);
    bytes_builder_clear(&b);
    return NULL;
}

PyObject *latin1_encode(PyObject *s, const char *errors)
{
    if (!PyUnicode_Check(s)) {
        PyErr_BadArgument();
        return NULL;
    }
    if (KIND(s) == 1) return PyBytes_FromStringAndSize(DATA(s), LENGTH(s));
    return narrow_encode(s, errors, &latin1_codec);
}

PyObject *ascii_encode(PyObject *s, const char *errors)
{
    if (!PyUnicode_Check(s)) {
        PyErr_BadArgument();
        return NULL;
    }
    if (PyUnicode_IS_ASCII(s)) return PyBytes_FromStringAndSize(DATA(s), LENGTH(s));
    return narrow_encode(s, errors, &ascii_codec);
}

PyObject *PyUnicode_AsLatin1String(PyObject *s) { return latin1_encode(s, NULL); }
PyObject *PyUnicode_AsASCIIString(PyObject *s) { return ascii_encode(s, NULL); }

/* ---- file system ---------------------------------------------------------------------------------------------------------- */

PyObject *PyUnicode_EncodeFSDefault(PyObject *s)
{
    UnicodeState *u = &interp_get()->objects.unicode;
    if (LIKELY(u->fs_is_utf8 || !u->fs_encoding)) return _PyUnicode_AsUTF8String(s, "surrogateescape");
    return PyUnicode_AsEncodedString(s, u->fs_encoding, u->fs_errors);
}

PyObject *PyUnicode_DecodeFSDefaultAndSize(const char *p, Py_ssize_t n)
{
    UnicodeState *u = &interp_get()->objects.unicode;
    if (LIKELY(u->fs_is_utf8 || !u->fs_encoding)) return PyUnicode_DecodeUTF8Stateful(p, n, "surrogateescape", NULL);
    return PyUnicode_Decode(p, n, u->fs_encoding, u->fs_errors);
}

PyObject *PyUnicode_DecodeFSDefault(const char *s) { return PyUnicode_DecodeFSDefaultAndSize(s, (Py_ssize_t)strlen(s)); }

int PyUnicode_FSConverter(PyObject *arg, void *address)
{
    PyObject **result = address;
    if (!arg) {
        Py_CLEAR(*result);
        return 1;
    }
    PyObject *path = PyOS_FSPath(arg);
    if (!path) return 0;
    if (PyUnicode_Check(path)) {
        Py_SETREF(path, PyUnicode_EncodeFSDefault(path));
        if (!path) return 0;
    }
    if (strlen(PyBytes_AS_STRING(path)) != (size_t)PyBytes_GET_SIZE(path)) {
        PyErr_SetString(PyExc_ValueError, "embedded null byte");
        Py_DECREF(path);
        return 0;
    }
    *result = path;
    return Py_CLEANUP_SUPPORTED;
}

int PyUnicode_FSDecoder(PyObject *arg, void *address)
{
    PyObject **result = address;
    if (!arg) {
        Py_CLEAR(*result);
        return 1;
    }
    PyObject *path = PyOS_FSPath(arg);
    if (!path) return 0;
    if (PyBytes_Check(path)) {
        Py_SETREF(path, PyUnicode_DecodeFSDefaultAndSize(PyBytes_AS_STRING(path), PyBytes_GET_SIZE(path)));
        if (!path) return 0;
    }
    if (PyUnicode_FindChar(path, 0, 0, LENGTH(path), 1) >= 0) {
        PyErr_SetString(PyExc_ValueError, "embedded null character");
        Py_DECREF(path);
        return 0;
    }
    *result = path;
    return Py_CLEANUP_SUPPORTED;
}

/* ---- locale --------------------------------------------------------------------------------------------------------------- */

/* 1: surrogateescape, 0: strict, -1 with ValueError. */
static int locale_errors(const char *errors)
{
    ErrorHandler kind = errors_kind(errors);
    if (kind == ERRORS_STRICT) return 0;
    if (kind == ERRORS_SURROGATEESCAPE) return 1;
    PyErr_Format(PyExc_ValueError, "only 'strict' and 'surrogateescape' error handlers are supported, not '%s'", errors);
    return -1;
}

PyObject *PyUnicode_DecodeLocaleAndSize(const char *p, Py_ssize_t n, const char *errors)
{
    int escape = locale_errors(errors);
    if (escape < 0) return NULL;
    if (p[n] != 0 || (size_t)n != strlen(p)) {
        PyErr_SetString(PyExc_ValueError, "embedded null byte");
        return NULL;
    }
    if (is_ascii_bytes(p, (size_t)n)) return str_from_ascii(p, n);
    Py_UCS4 *chars = PyMem_New(Py_UCS4, n);
    if (!chars) return PyErr_NoMemory();
    Py_ssize_t count = 0;
    mbstate_t state;
    memset(&state, 0, sizeof state);
    for (Py_ssize_t i = 0; i < n;) {
        wchar_t wc;
        size_t used = mbrtowc(&wc, p + i, (size_t)(n - i), &state);
        if (used == (size_t)-1 || used == (size_t)-2 || (used && Py_UNICODE_IS_SURROGATE((Py_UCS4)wc))) {
            if (!escape || (unsigned char)p[i] < 128) {
                PyMem_Free(chars);
                PyObject *exception = PyUnicodeDecodeError_Create("locale", p, n, i, i + 1, "decoding error");
                if (exception) PyErr_SetObject(PyExc_UnicodeDecodeError, exception);
                Py_XDECREF(exception);
                return NULL;
            }
            chars[count++] = 0xdc00u + (unsigned char)p[i++];
            memset(&state, 0, sizeof state);
            continue;
        }
        chars[count++] = (Py_UCS4)wc;
        i += used ? (Py_ssize_t)used : 1;
    }
    PyObject *s = str_from_ucs4(chars, count);
    PyMem_Free(chars);
    return s;
}

PyObject *PyUnicode_DecodeLocale(const char *p, const char *errors) { return PyUnicode_DecodeLocaleAndSize(p, (Py_ssize_t)strlen(p), errors); }

PyObject *PyUnicode_EncodeLocale(PyObject *s, const char *errors)
{
    int escape = locale_errors(errors);
    if (escape < 0) return NULL;
    if (!PyUnicode_Check(s)) {
        PyErr_BadArgument();
        return NULL;
    }
    if (PyUnicode_FindChar(s, 0, 0, LENGTH(s), 1) >= 0) {
        PyErr_SetString(PyExc_ValueError, "embedded null character");
        return NULL;
    }
    BytesBuilder b;
    mbstate_t state;
    memset(&state, 0, sizeof state);
    if (bytes_builder_init(&b, LENGTH(s)) < 0) return NULL;
    for (Py_ssize_t i = 0; i < LENGTH(s); i++) {
        Py_UCS4 c = PyUnicode_READ_CHAR(s, i);
        char text[16];
        size_t n;
        if (escape && c >= 0xdc80 && c <= 0xdcff) {
            text[0] = (char)(c - 0xdc00);
            n = 1;
        }
        else n = wcrtomb(text, (wchar_t)c, &state);
        if (n == (size_t)-1) {
            CodecRun run = codec_run("locale", "strict");
            codec_raise_encode_error(&run, "encoding error", s, i, i + 1);
            codec_run_clear(&run);
            bytes_builder_clear(&b);
            return NULL;
        }
        if (bytes_builder_write(&b, text, (Py_ssize_t)n) < 0) {
            bytes_builder_clear(&b);
            return NULL;
        }
    }
    return bytes_builder_finish(&b);
}
