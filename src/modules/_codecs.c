/* _codecs: the registry and the built-in codecs, as the module codecs and the package encodings use them.
 *
 * A codec function takes (input, errors, ...) and returns (output, length consumed). */
#include "capi/args.h"
#include "objects/bytes.h"
#include "objects/codecs.h"
#include "objects/text.h"
#include "objects/unicode.h"
#include "objects/unicode_codecs.h"

/* ---- arguments ------------------------------------------------------------------------------------------------------- */

/* errors: str without NUL, None or left out. *ok is false on failure. */
static const char *errors_arg(const char *function, PyObject *o, bool *ok)
{
    if (!o || o == Py_None) return NULL;
    if (!PyUnicode_Check(o)) {
        text_wrong_type(function, "argument 2", "str or None", o);
        *ok = false;
        return NULL;
    }
    const char *text = text_codec_arg(function, "argument 2", o);
    if (!text) *ok = false;
    return text;
}

static bool bool_arg(PyObject *o, bool missing, bool *ok)
{
    if (!o) return missing;
    int value = PyObject_IsTrue(o);
    if (value < 0) *ok = false;
    return value > 0;
}

static bool str_arg(const char *function, PyObject *o)
{
    return PyUnicode_Check(o) || text_wrong_type(function, "argument 1", "str", o) == 0;
}

static PyObject *result_of(PyObject *output, Py_ssize_t consumed)   /* steals output */
{
    return output ? Py_BuildValue("(Nn)", output, consumed) : NULL;
}

/* ---- registry ---------------------------------------------------------------------------------------------------------- */

BUILTIN_O(codecs, register, "($module, search_function, /)",
          "Adds a function that finds codecs: called with a normalised name, it returns a tuple (encoder, decoder,\n"
          "stream_reader, stream_writer), or CodecInfo, or None.")
{
    if (PyCodec_Register(arg) < 0) return NULL;
    Py_RETURN_NONE;
}

BUILTIN_O(codecs, unregister, "($module, search_function, /)", "Takes a search function out again and forgets the codecs that were found.")
{
    if (PyCodec_Unregister(arg) < 0) return NULL;
    Py_RETURN_NONE;
}

BUILTIN_O(codecs, lookup, "($module, encoding, /)", "The codec of an encoding, as a tuple or CodecInfo.")
{
    const char *encoding = text_codec_arg("lookup", "argument", arg);
    return encoding ? codec_lookup(encoding) : NULL;
}

BUILTIN(codecs, encode, KEYWORDS, "($module, /, obj, encoding='utf-8', errors='strict')", "obj encoded with a codec, which decides on the types.")
{
    const char *encoding = "utf-8", *errors = NULL;
    if (arg[1] && !(encoding = text_codec_arg("encode", "argument 'encoding'", arg[1]))) return NULL;
    if (arg[2] && !(errors = text_codec_arg("encode", "argument 'errors'", arg[2]))) return NULL;
    return PyCodec_Encode(arg[0], encoding, errors);
}

BUILTIN(codecs, decode, KEYWORDS, "($module, /, obj, encoding='utf-8', errors='strict')", "obj decoded with a codec, which decides on the types.")
{
    const char *encoding = "utf-8", *errors = NULL;
    if (arg[1] && !(encoding = text_codec_arg("decode", "argument 'encoding'", arg[1]))) return NULL;
    if (arg[2] && !(errors = text_codec_arg("decode", "argument 'errors'", arg[2]))) return NULL;
    return PyCodec_Decode(arg[0], encoding, errors);
}

BUILTIN(codecs, register_error, POSITIONAL, "($module, errors, handler, /)",
        "Registers a handler under a name: called with the exception, it raises it or returns (replacement, position).")
{
    const char *name = text_codec_arg("register_error", "argument 1", arg[0]);
    if (!name || PyCodec_RegisterError(name, arg[1]) < 0) return NULL;
    Py_RETURN_NONE;
}

BUILTIN_O(codecs, lookup_error, "($module, name, /)", "The error handler registered under a name.")
{
    const char *name = text_codec_arg("lookup_error", "argument", arg);
    return name ? PyCodec_LookupError(name) : NULL;
}

/* ---- decoders ------------------------------------------------------------------------------------------------------------ */

typedef PyObject *Decoder(const char *p, Py_ssize_t n, const char *errors, Py_ssize_t *consumed);

/* (data, errors=None, final=False): without final, what is incomplete at the end is left for the next call. */
static PyObject *decode_with(const char *function, PyObject *const *arg, bool final, Decoder *decoder)
{
    Py_buffer view;
    bool ok = true;
    if (PyObject_GetBuffer(arg[0], &view, PyBUF_SIMPLE) < 0) return NULL;
    const char *errors = errors_arg(function, arg[1], &ok);
    if (ok) final = bool_arg(arg[2], final, &ok);
    Py_ssize_t consumed = view.len;
    PyObject *text = ok ? decoder(view.buf, view.len, errors, final ? NULL : &consumed) : NULL;
    PyBuffer_Release(&view);
    return result_of(text, consumed);
}

static PyObject *utf16(const char *p, Py_ssize_t n, const char *e, Py_ssize_t *c) { int order = 0; return PyUnicode_DecodeUTF16Stateful(p, n, e, &order, c); }
static PyObject *utf16_le(const char *p, Py_ssize_t n, const char *e, Py_ssize_t *c) { int order = -1; return PyUnicode_DecodeUTF16Stateful(p, n, e, &order, c); }
static PyObject *utf16_be(const char *p, Py_ssize_t n, const char *e, Py_ssize_t *c) { int order = 1; return PyUnicode_DecodeUTF16Stateful(p, n, e, &order, c); }
static PyObject *utf32(const char *p, Py_ssize_t n, const char *e, Py_ssize_t *c) { int order = 0; return PyUnicode_DecodeUTF32Stateful(p, n, e, &order, c); }
static PyObject *utf32_le(const char *p, Py_ssize_t n, const char *e, Py_ssize_t *c) { int order = -1; return PyUnicode_DecodeUTF32Stateful(p, n, e, &order, c); }
static PyObject *utf32_be(const char *p, Py_ssize_t n, const char *e, Py_ssize_t *c) { int order = 1; return PyUnicode_DecodeUTF32Stateful(p, n, e, &order, c); }

#define DECODER(name, function) \
    BUILTIN(codecs, name, POSITIONAL, "($module, data, errors=None, final=False, /)", "(text, bytes consumed).") \
    { \
        return decode_with(#name, arg, false, function); \
    }

DECODER(utf_7_decode, PyUnicode_DecodeUTF7Stateful)
DECODER(utf_8_decode, PyUnicode_DecodeUTF8Stateful)
DECODER(utf_16_decode, utf16)
DECODER(utf_16_le_decode, utf16_le)
DECODER(utf_16_be_decode, utf16_be)
DECODER(utf_32_decode, utf32)
DECODER(utf_32_le_decode, utf32_le)
DECODER(utf_32_be_decode, utf32_be)

/* (data, errors=None, byteorder=0, final=False) -> (text, consumed, byteorder) */
static PyObject *decode_ordered(const char *function, PyObject *const *arg, bool wide)
{
    Py_buffer view;
    bool ok = true;
    int order = 0;
    if (PyObject_GetBuffer(arg[0], &view, PyBUF_SIMPLE) < 0) return NULL;
    const char *errors = errors_arg(function, arg[1], &ok);
    if (ok && arg[2] && text_int_arg(arg[2], &order) < 0) ok = false;
    bool final = ok && bool_arg(arg[3], false, &ok);
    Py_ssize_t consumed = view.len, *partial = final ? NULL : &consumed;
    PyObject *text = !ok ? NULL : wide ? PyUnicode_DecodeUTF32Stateful(view.buf, view.len, errors, &order, partial)
                                       : PyUnicode_DecodeUTF16Stateful(view.buf, view.len, errors, &order, partial);
    PyBuffer_Release(&view);
    return text ? Py_BuildValue("(Nni)", text, consumed, order) : NULL;
}

BUILTIN(codecs, utf_16_ex_decode, POSITIONAL, "($module, data, errors=None, byteorder=0, final=False, /)", "(text, bytes consumed, byte order found).")
{
    return decode_ordered("utf_16_ex_decode", arg, false);
}

BUILTIN(codecs, utf_32_ex_decode, POSITIONAL, "($module, data, errors=None, byteorder=0, final=False, /)", "(text, bytes consumed, byte order found).")
{
    return decode_ordered("utf_32_ex_decode", arg, true);
}

/* The bytes of a str's UTF-8 or of a bytes-like object. *view.obj is NULL for a str. */
static int text_or_buffer(PyObject *o, Py_buffer *view)
{
    if (!PyUnicode_Check(o)) return PyObject_GetBuffer(o, view, PyBUF_SIMPLE);
    memset(view, 0, sizeof *view);
    view->buf = (void *)PyUnicode_AsUTF8AndSize(o, &view->len);
    return view->buf ? 0 : -1;
}

static PyObject *decode_escapes(const char *function, PyObject *const *arg, Decoder *decoder)
{
    Py_buffer view;
    bool ok = true;
    if (text_or_buffer(arg[0], &view) < 0) return NULL;
    const char *errors = errors_arg(function, arg[1], &ok);
    bool final = ok && bool_arg(arg[2], true, &ok);
    Py_ssize_t consumed = view.len;
    PyObject *text = ok ? decoder(view.buf, view.len, errors, final ? NULL : &consumed) : NULL;
    if (view.obj) PyBuffer_Release(&view);
    return result_of(text, consumed);
}

BUILTIN(codecs, unicode_escape_decode, POSITIONAL, "($module, data, errors=None, final=True, /)", "(text, bytes consumed).")
{
    return decode_escapes("unicode_escape_decode", arg, unicode_escape_decode_warn);
}

BUILTIN(codecs, raw_unicode_escape_decode, POSITIONAL, "($module, data, errors=None, final=True, /)", "(text, bytes consumed).")
{
    return decode_escapes("raw_unicode_escape_decode", arg, raw_unicode_escape_decode);
}

BUILTIN(codecs, escape_decode, POSITIONAL, "($module, data, errors=None, /)", "(bytes, length): the escapes of bytes literals resolved.")
{
    Py_buffer view;
    bool ok = true;
    if (text_or_buffer(arg[0], &view) < 0) return NULL;
    const char *errors = errors_arg("escape_decode", arg[1], &ok);
    Py_ssize_t n = view.len;
    PyObject *bytes = ok ? PyBytes_DecodeEscape(view.buf, n, errors, 0, NULL) : NULL;
    if (view.obj) PyBuffer_Release(&view);
    return result_of(bytes, n);
}

static PyObject *latin1(const char *p, Py_ssize_t n, const char *errors, Py_ssize_t *Py_UNUSED(consumed)) { return PyUnicode_DecodeLatin1(p, n, errors); }

BUILTIN(codecs, latin_1_decode, POSITIONAL, "($module, data, errors=None, /)", "(text, bytes consumed).")
{
    PyObject *with_final[3] = { arg[0], arg[1], Py_True };
    return decode_with("latin_1_decode", with_final, true, latin1);
}

static PyObject *ascii(const char *p, Py_ssize_t n, const char *errors, Py_ssize_t *Py_UNUSED(consumed)) { return PyUnicode_DecodeASCII(p, n, errors); }

BUILTIN(codecs, ascii_decode, POSITIONAL, "($module, data, errors=None, /)", "(text, bytes consumed).")
{
    PyObject *with_final[3] = { arg[0], arg[1], Py_True };
    return decode_with("ascii_decode", with_final, true, ascii);
}

BUILTIN(codecs, charmap_decode, POSITIONAL, "($module, data, errors=None, mapping=None, /)", "(text, bytes consumed), through a str or a mapping.")
{
    Py_buffer view;
    bool ok = true;
    if (PyObject_GetBuffer(arg[0], &view, PyBUF_SIMPLE) < 0) return NULL;
    const char *errors = errors_arg("charmap_decode", arg[1], &ok);
    Py_ssize_t n = view.len;
    PyObject *text = ok ? PyUnicode_DecodeCharmap(view.buf, n, arg[2] == Py_None ? NULL : arg[2], errors) : NULL;
    PyBuffer_Release(&view);
    return result_of(text, n);
}

/* ---- encoders ------------------------------------------------------------------------------------------------------------ */

typedef PyObject *Encoder(PyObject *s, const char *errors);

static PyObject *encode_with(const char *function, PyObject *const *arg, Encoder *encoder)
{
    bool ok = true;
    if (!str_arg(function, arg[0])) return NULL;
    const char *errors = errors_arg(function, arg[1], &ok);
    return ok ? result_of(encoder(arg[0], errors), PyUnicode_GET_LENGTH(arg[0])) : NULL;
}

static PyObject *to_utf16_le(PyObject *s, const char *errors) { return _PyUnicode_EncodeUTF16(s, errors, -1); }
static PyObject *to_utf16_be(PyObject *s, const char *errors) { return _PyUnicode_EncodeUTF16(s, errors, 1); }
static PyObject *to_utf32_le(PyObject *s, const char *errors) { return _PyUnicode_EncodeUTF32(s, errors, -1); }
static PyObject *to_utf32_be(PyObject *s, const char *errors) { return _PyUnicode_EncodeUTF32(s, errors, 1); }
static PyObject *to_unicode_escape(PyObject *s, const char *Py_UNUSED(errors)) { return PyUnicode_AsUnicodeEscapeString(s); }
static PyObject *to_raw_unicode_escape(PyObject *s, const char *Py_UNUSED(errors)) { return PyUnicode_AsRawUnicodeEscapeString(s); }

#define ENCODER(name, function) \
    BUILTIN(codecs, name, POSITIONAL, "($module, str, errors=None, /)", "(bytes, characters consumed).") \
    { \
        return encode_with(#name, arg, function); \
    }

ENCODER(utf_7_encode, utf7_encode)
ENCODER(utf_8_encode, _PyUnicode_AsUTF8String)
ENCODER(utf_16_le_encode, to_utf16_le)
ENCODER(utf_16_be_encode, to_utf16_be)
ENCODER(utf_32_le_encode, to_utf32_le)
ENCODER(utf_32_be_encode, to_utf32_be)
ENCODER(unicode_escape_encode, to_unicode_escape)
ENCODER(raw_unicode_escape_encode, to_raw_unicode_escape)
ENCODER(latin_1_encode, latin1_encode)
ENCODER(ascii_encode, ascii_encode)

static PyObject *encode_ordered(const char *function, PyObject *const *arg, bool wide)
{
    bool ok = true;
    int order = 0;
    if (!str_arg(function, arg[0])) return NULL;
    const char *errors = errors_arg(function, arg[1], &ok);
    if (!ok || (arg[2] && text_int_arg(arg[2], &order) < 0)) return NULL;
    return result_of(wide ? _PyUnicode_EncodeUTF32(arg[0], errors, order) : _PyUnicode_EncodeUTF16(arg[0], errors, order),
                     PyUnicode_GET_LENGTH(arg[0]));
}

BUILTIN(codecs, utf_16_encode, POSITIONAL, "($module, str, errors=None, byteorder=0, /)", "(bytes, characters consumed).")
{
    return encode_ordered("utf_16_encode", arg, false);
}

BUILTIN(codecs, utf_32_encode, POSITIONAL, "($module, str, errors=None, byteorder=0, /)", "(bytes, characters consumed).")
{
    return encode_ordered("utf_32_encode", arg, true);
}

BUILTIN(codecs, charmap_encode, POSITIONAL, "($module, str, errors=None, mapping=None, /)", "(bytes, characters consumed), through a mapping.")
{
    bool ok = true;
    if (!str_arg("charmap_encode", arg[0])) return NULL;
    const char *errors = errors_arg("charmap_encode", arg[1], &ok);
    if (!ok) return NULL;
    return result_of(charmap_encode(arg[0], arg[2] == Py_None ? NULL : arg[2], errors), PyUnicode_GET_LENGTH(arg[0]));
}

BUILTIN_O(codecs, charmap_build, "($module, map, /)", "A compact mapping for charmap_encode, from a decoding table.")
{
    if (!PyUnicode_Check(arg)) {
        text_wrong_type("charmap_build", "argument", "str", arg);
        return NULL;
    }
    return PyUnicode_BuildEncodingMap(arg);
}

BUILTIN(codecs, readbuffer_encode, POSITIONAL, "($module, data, errors=None, /)", "(bytes, length): what a buffer holds.")
{
    Py_buffer view;
    bool ok = true;
    if (text_or_buffer(arg[0], &view) < 0) return NULL;
    errors_arg("readbuffer_encode", arg[1], &ok);
    Py_ssize_t n = view.len;
    PyObject *bytes = ok ? PyBytes_FromStringAndSize(view.buf, n) : NULL;
    if (view.obj) PyBuffer_Release(&view);
    return result_of(bytes, n);
}

BUILTIN(codecs, escape_encode, POSITIONAL, "($module, data, errors=None, /)", "(bytes, length): with escapes as in a bytes literal.")
{
    bool ok = true;
    if (!PyBytes_Check(arg[0])) {
        text_wrong_type("escape_encode", "argument 1", "bytes", arg[0]);
        return NULL;
    }
    errors_arg("escape_encode", arg[1], &ok);
    BytesBuilder b;
    Py_ssize_t n = PyBytes_GET_SIZE(arg[0]);
    if (!ok || bytes_builder_init(&b, n) < 0) return NULL;
    for (Py_ssize_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)PyBytes_AS_STRING(arg[0])[i];
        char *room = bytes_builder_room(&b, 4), *out = room;
        if (!room) {
            bytes_builder_clear(&b);
            return NULL;
        }
        if (c >= ' ' && c < 127 && c != '\'' && c != '\\') *out++ = (char)c;
        else {
            *out++ = '\\';
            if (c == '\'' || c == '\\') *out++ = (char)c;
            else if (c == '\t' || c == '\n' || c == '\r') *out++ = c == '\t' ? 't' : c == '\n' ? 'n' : 'r';
            else {
                *out++ = 'x';
                *out++ = Py_hexdigits[c >> 4];
                *out++ = Py_hexdigits[c & 15];
            }
        }
        b.used += out - room;
    }
    return result_of(bytes_builder_finish(&b), n);
}

/* ---- module --------------------------------------------------------------------------------------------------------------- */

static PyMethodDef codecs_methods[] = {
    METHOD(codecs, register), METHOD(codecs, unregister), METHOD(codecs, lookup), METHOD(codecs, encode), METHOD(codecs, decode),
    METHOD(codecs, escape_encode), METHOD(codecs, escape_decode), METHOD(codecs, utf_8_encode), METHOD(codecs, utf_8_decode),
    METHOD(codecs, utf_7_encode), METHOD(codecs, utf_7_decode), METHOD(codecs, utf_16_encode), METHOD(codecs, utf_16_le_encode),
    METHOD(codecs, utf_16_be_encode), METHOD(codecs, utf_16_decode), METHOD(codecs, utf_16_le_decode), METHOD(codecs, utf_16_be_decode),
    METHOD(codecs, utf_16_ex_decode), METHOD(codecs, utf_32_encode), METHOD(codecs, utf_32_le_encode), METHOD(codecs, utf_32_be_encode),
    METHOD(codecs, utf_32_decode), METHOD(codecs, utf_32_le_decode), METHOD(codecs, utf_32_be_decode), METHOD(codecs, utf_32_ex_decode),
    METHOD(codecs, unicode_escape_encode), METHOD(codecs, unicode_escape_decode), METHOD(codecs, raw_unicode_escape_encode),
    METHOD(codecs, raw_unicode_escape_decode), METHOD(codecs, latin_1_encode), METHOD(codecs, latin_1_decode),
    METHOD(codecs, ascii_encode), METHOD(codecs, ascii_decode), METHOD(codecs, charmap_encode), METHOD(codecs, charmap_decode),
    METHOD(codecs, charmap_build), METHOD(codecs, readbuffer_encode), METHOD(codecs, register_error), METHOD(codecs, lookup_error), { 0 },
};

static PyModuleDef_Slot codecs_slots[] = {
    { Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED }, { Py_mod_gil, Py_MOD_GIL_NOT_USED }, { 0, NULL },
};

static PyModuleDef codecs_module = {
    PyModuleDef_HEAD_INIT, .m_name = "_codecs", .m_methods = codecs_methods, .m_slots = codecs_slots,
};

PyMODINIT_FUNC PyInit__codecs(void) { return PyModuleDef_Init(&codecs_module); }
