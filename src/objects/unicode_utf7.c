/* UTF-7 (RFC 2152): ASCII with shifts into base 64, which holds UTF-16. */
#include "objects/bytes.h"
#include "objects/unicode_codecs.h"
#include "objects/unicode_private.h"

static int from_base64(unsigned char c)
{
    return c >= 'A' && c <= 'Z' ? c - 'A' : c >= 'a' && c <= 'z' ? c - 'a' + 26 : c >= '0' && c <= '9' ? c - '0' + 52 : c == '+' ? 62 : c == '/' ? 63 : -1;
}

static char to_base64(unsigned v) { return "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"[v & 63]; }
static bool decodes_directly(unsigned char c) { return c < 128 && c != '+'; }

static bool encodes_directly(Py_UCS4 c)
{
    if (c >= 127 || c == '+' || c == '\\' || c == '~') return false;
    return c >= ' ' || c == '\t' || c == '\n' || c == '\r';
}

typedef struct Shift {
    bool active;
    unsigned bits;
    uint32_t buffer;
    Py_UCS4 surrogate;                                      /* a high one that waits for its low one */
    Py_ssize_t output_start;                                /* of the writer, where the shift began */
} Shift;

/* A base-64 digit: 0, or -1 without memory. */
static int take_digit(_PyUnicodeWriter *w, Shift *s, int digit)
{
    s->buffer = s->buffer << 6 | (uint32_t)digit;
    s->bits += 6;
    if (s->bits < 16) return 0;
    Py_UCS4 c = s->buffer >> (s->bits - 16);
    s->bits -= 16;
    s->buffer &= (1u << s->bits) - 1;
    if (s->surrogate) {
        Py_UCS4 high = s->surrogate;
        s->surrogate = 0;
        if (Py_UNICODE_IS_LOW_SURROGATE(c)) return _PyUnicodeWriter_WriteChar(w, Py_UNICODE_JOIN_SURROGATES(high, c));
        if (_PyUnicodeWriter_WriteChar(w, high) < 0) return -1;
    }
    if (Py_UNICODE_IS_HIGH_SURROGATE(c)) {
        s->surrogate = c;
        return 0;
    }
    return _PyUnicodeWriter_WriteChar(w, c);
}

PyObject *PyUnicode_DecodeUTF7Stateful(const char *text, Py_ssize_t size, const char *errors, Py_ssize_t *consumed)
{
    CodecRun run = codec_run("utf7", errors);
    DecodeInput input = { text, text + size, NULL };
    const char *p = text;
    Shift shift = { 0 };
    Py_ssize_t start = 0;
    _PyUnicodeWriter w;
    if (size == 0) {
        if (consumed) *consumed = 0;
        return EMPTY_STR;
    }
    _PyUnicodeWriter_Init(&w);
    w.min_length = size;
    w.overallocate = 1;
    for (;;) {
        const char *reason = NULL;
        if (p >= input.end) {
            if (!shift.active || consumed) break;
            shift.active = false;
            if (!shift.surrogate && shift.bits < 6 && !(shift.bits > 0 && shift.buffer)) break;
            reason = "unterminated shift sequence";
        }
        else {
            unsigned char c = (unsigned char)*p;
            int digit = from_base64(c);
            if (shift.active && digit >= 0) {
                p++;
                if (take_digit(&w, &shift, digit) < 0) goto failed;
            }
            else if (shift.active) {
                shift.active = false;
                if (shift.bits >= 6) reason = "partial character in shift sequence";
                else if (shift.bits && shift.buffer) reason = "non-zero padding bits in shift sequence";
                if (reason) p++;
                else {
                    if (shift.surrogate && decodes_directly(c) && _PyUnicodeWriter_WriteChar(&w, shift.surrogate) < 0) goto failed;
                    shift.surrogate = 0;
                    if (c == '-') p++;
                }
            }
            else if (c == '+') {
                start = p - input.start;
                p++;
                if (p < input.end && *p == '-') {
                    p++;
                    if (_PyUnicodeWriter_WriteChar(&w, '+') < 0) goto failed;
                }
                else if (p < input.end && from_base64((unsigned char)*p) < 0) {
                    p++;
                    reason = "ill-formed sequence";
                }
                else shift = (Shift){ .active = true, .output_start = w.pos };
            }
            else {
                if (!decodes_directly(c)) {
                    start = p - input.start;
                    reason = "unexpected special character";
                }
                else if (_PyUnicodeWriter_WriteChar(&w, c) < 0) goto failed;
                p++;
            }
        }
        if (!reason) continue;
        Py_ssize_t resume;
        PyObject *replacement = codec_decode_error(&run, reason, &input, start, p - input.start, &resume);
        int status = replacement ? _PyUnicodeWriter_WriteStr(&w, replacement) : -1;
        Py_XDECREF(replacement);
        if (status < 0) goto failed;
        p = input.start + resume;
        shift.surrogate = 0;
    }
    if (consumed) {
        *consumed = shift.active ? start : p - input.start;
        if (shift.active) w.pos = shift.output_start;      /* the shift will be read again, whole */
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

PyObject *PyUnicode_DecodeUTF7(const char *text, Py_ssize_t size, const char *errors) { return PyUnicode_DecodeUTF7Stateful(text, size, errors, NULL); }

/* ---- encoding ------------------------------------------------------------------------------------------------------------ */

static char *put_unit(char *out, Shift *s, Py_UCS4 unit)
{
    s->buffer = s->buffer << 16 | unit;
    s->bits += 16;
    for (; s->bits >= 6; s->bits -= 6) *out++ = to_base64(s->buffer >> (s->bits - 6));
    s->buffer &= (1u << s->bits) - 1;
    return out;
}

PyObject *utf7_encode(PyObject *s, const char *Py_UNUSED(errors))
{
    Py_ssize_t n = LENGTH(s);
    Shift shift = { 0 };
    BytesBuilder b;
    if (n == 0) return EMPTY_BYTES;
    if (bytes_builder_init(&b, n + n / 8) < 0) return NULL;
    for (Py_ssize_t i = 0; i <= n; i++) {
        char *room = bytes_builder_room(&b, 16), *out = room;
        if (!room) {
            bytes_builder_clear(&b);
            return NULL;
        }
        Py_UCS4 c = i < n ? PyUnicode_READ_CHAR(s, i) : 0;
        if (i == n || (shift.active && encodes_directly(c))) {
            if (shift.bits) *out++ = to_base64(shift.buffer << (6 - shift.bits));
            if (shift.active && (i == n || from_base64((unsigned char)c) >= 0 || c == '-')) *out++ = '-';
            shift = (Shift){ 0 };
        }
        if (i < n) {
            if (!shift.active && c == '+') {
                *out++ = '+';
                *out++ = '-';
            }
            else if (!shift.active && encodes_directly(c)) *out++ = (char)c;
            else {
                if (!shift.active) *out++ = '+';
                shift.active = true;
                if (c >= 0x10000) {
                    out = put_unit(out, &shift, Py_UNICODE_HIGH_SURROGATE(c));
                    c = Py_UNICODE_LOW_SURROGATE(c);
                }
                out = put_unit(out, &shift, c);
            }
        }
        b.used += out - room;
    }
    return bytes_builder_finish(&b);
}
