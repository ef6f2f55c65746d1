/* UTF-16 and UTF-32, both byte orders, with and without byte order mark. */
#include "objects/bytes.h"
#include "objects/unicode_codecs.h"
#include "objects/unicode_private.h"

typedef unsigned char byte;

static inline Py_UCS4 get16(const byte *p, bool big) { return big ? (Py_UCS4)p[0] << 8 | p[1] : (Py_UCS4)p[1] << 8 | p[0]; }

static inline Py_UCS4 get32(const byte *p, bool big)
{
    return big ? (Py_UCS4)p[0] << 24 | (Py_UCS4)p[1] << 16 | (Py_UCS4)p[2] << 8 | p[3]
               : (Py_UCS4)p[3] << 24 | (Py_UCS4)p[2] << 16 | (Py_UCS4)p[1] << 8 | p[0];
}

/* What ends a run of valid units. */
typedef struct Trouble { const char *reason; Py_ssize_t length; bool incomplete; } Trouble;

/* One character of UTF-16 at p: its length in bytes, or 0 with the trouble filled in. */
static int decode16(const byte *p, const byte *end, bool big, Py_UCS4 *c, Trouble *t)
{
    if (end - p < 2) {
        *t = (Trouble){ "truncated data", end - p, true };
        return 0;
    }
    Py_UCS4 unit = get16(p, big);
    if (!Py_UNICODE_IS_SURROGATE(unit)) {
        *c = unit;
        return 2;
    }
    if (!Py_UNICODE_IS_HIGH_SURROGATE(unit)) {
        *t = (Trouble){ "illegal encoding", 2, false };
        return 0;
    }
    if (end - p < 4) {
        *t = (Trouble){ "unexpected end of data", end - p, true };
        return 0;
    }
    Py_UCS4 low = get16(p + 2, big);
    if (!Py_UNICODE_IS_LOW_SURROGATE(low)) {
        *t = (Trouble){ "illegal UTF-16 surrogate", 2, false };
        return 0;
    }
    *c = Py_UNICODE_JOIN_SURROGATES(unit, low);
    return 4;
}

static int decode32(const byte *p, const byte *end, bool big, Py_UCS4 *c, Trouble *t)
{
    if (end - p < 4) {
        *t = (Trouble){ "truncated data", end - p, true };
        return 0;
    }
    Py_UCS4 unit = get32(p, big);
    if (Py_UNICODE_IS_SURROGATE(unit)) *t = (Trouble){ "code point in surrogate code point range(0xd800, 0xe000)", 4, false };
    else if (unit > UNICODE_MAX) *t = (Trouble){ "code point not in range(0x110000)", 4, false };
    else {
        *c = unit;
        return 4;
    }
    return 0;
}

/* Characters of the valid run at p (at most), their widest, and where the run ends. */
static Py_ssize_t scan(const byte *p, const byte *end, bool wide, bool big, Py_UCS4 *max, const byte **stop)
{
    Py_ssize_t n = 0;
    Py_UCS4 all = 0, c;
    Trouble t;
    for (int length; p < end && (length = wide ? decode32(p, end, big, &c, &t) : decode16(p, end, big, &c, &t)) > 0; p += length, n++) all |= c;
    *stop = p;
    *max = all > 0xffff ? UNICODE_MAX : all;
    return n;
}

static void fill(const byte *p, const byte *stop, bool wide, bool big, int kind, void *data)
{
    Py_UCS4 c;
    Trouble t;
    WITH_KIND(kind, {
        CHAR *out = data;
        while (p < stop) {
            p += wide ? decode32(p, stop, big, &c, &t) : decode16(p, stop, big, &c, &t);
            *out++ = (CHAR)c;
        }
    });
}

/* byteorder: -1 little, 1 big; name as the exception shows it. */
static PyObject *decode(const char *s, Py_ssize_t size, const char *errors, bool wide, int byteorder, const char *name, Py_ssize_t skipped, Py_ssize_t *consumed)
{
    CodecRun run = codec_run(name, errors);
    DecodeInput input = { s, s + size, NULL };
    const byte *p = (const byte *)s + skipped, *stop;
    bool big = byteorder > 0;
    _PyUnicodeWriter w;
    _PyUnicodeWriter_Init(&w);
    w.min_length = (size - skipped) / (wide ? 4 : 2);
    for (;;) {
        const byte *end = (const byte *)input.end;
        Py_UCS4 max, c;
        Trouble t = { 0 };
        Py_ssize_t n = scan(p, end, wide, big, &max, &stop);
        if (n) {
            if (_PyUnicodeWriter_Prepare(&w, n, max) < 0) goto failed;
            fill(p, stop, wide, big, w.kind, chars_at(w.kind, w.data, w.pos));
            w.pos += n;
            p = stop;
        }
        if (p == end) break;
        if (wide) decode32(p, end, big, &c, &t);
        else decode16(p, end, big, &c, &t);
        if (t.incomplete && consumed) break;
        Py_ssize_t start = p - (const byte *)input.start, resume;
        w.overallocate = 1;
        PyObject *text = codec_decode_error(&run, t.reason, &input, start, start + t.length, &resume);
        int status = text ? _PyUnicodeWriter_WriteStr(&w, text) : -1;
        Py_XDECREF(text);
        if (status < 0) goto failed;
        p = (const byte *)input.start + resume;
    }
    if (consumed) *consumed = p - (const byte *)input.start;
    codec_run_clear(&run);
    Py_XDECREF(input.replaced);
    return _PyUnicodeWriter_Finish(&w);
failed:
    codec_run_clear(&run);
    Py_XDECREF(input.replaced);
    _PyUnicodeWriter_Dealloc(&w);
    return NULL;
}

PyObject *PyUnicode_DecodeUTF16Stateful(const char *s, Py_ssize_t size, const char *errors, int *byteorder, Py_ssize_t *consumed)
{
    int order = byteorder ? *byteorder : 0;
    Py_ssize_t skipped = 0;
    if (order == 0 && size >= 2) {
        Py_UCS4 mark = get16((const byte *)s, false);
        if (mark == 0xfeff || mark == 0xfffe) {
            order = mark == 0xfeff ? -1 : 1;
            skipped = 2;
        }
    }
    if (byteorder) *byteorder = order;
    if (order == 0) order = PY_LITTLE_ENDIAN ? -1 : 1;
    return decode(s, size, errors, false, order, order < 0 ? "utf-16-le" : "utf-16-be", skipped, consumed);
}

PyObject *PyUnicode_DecodeUTF16(const char *s, Py_ssize_t size, const char *errors, int *byteorder)
{
    return PyUnicode_DecodeUTF16Stateful(s, size, errors, byteorder, NULL);
}

PyObject *PyUnicode_DecodeUTF32Stateful(const char *s, Py_ssize_t size, const char *errors, int *byteorder, Py_ssize_t *consumed)
{
    int order = byteorder ? *byteorder : 0;
    Py_ssize_t skipped = 0;
    if (order == 0 && size >= 4) {
        Py_UCS4 mark = get32((const byte *)s, false);
        if (mark == 0xfeff || mark == 0xfffe0000) {
            order = mark == 0xfeff ? -1 : 1;
            skipped = 4;
        }
    }
    if (byteorder) *byteorder = order;
    if (order == 0) order = PY_LITTLE_ENDIAN ? -1 : 1;
    return decode(s, size, errors, true, order, order < 0 ? "utf-32-le" : "utf-32-be", skipped, consumed);
}

PyObject *PyUnicode_DecodeUTF32(const char *s, Py_ssize_t size, const char *errors, int *byteorder)
{
    return PyUnicode_DecodeUTF32Stateful(s, size, errors, byteorder, NULL);
}

/* ---- encoding --------------------------------------------------------------------------------------------------------- */

static byte *put16(byte *p, Py_UCS4 c, bool big)
{
    p[big ? 0 : 1] = (byte)(c >> 8);
    p[big ? 1 : 0] = (byte)c;
    return p + 2;
}

static byte *put32(byte *p, Py_UCS4 c, bool big)
{
    for (int i = 0; i < 4; i++) p[i] = (byte)(c >> (big ? 24 - 8 * i : 8 * i));
    return p + 4;
}

static byte *put(byte *p, Py_UCS4 c, bool wide, bool big)
{
    if (wide) return put32(p, c, big);
    if (c < 0x10000) return put16(p, c, big);
    p = put16(p, Py_UNICODE_HIGH_SURROGATE(c), big);
    return put16(p, Py_UNICODE_LOW_SURROGATE(c), big);
}

static int write_char(BytesBuilder *b, Py_UCS4 c, bool wide, bool big)
{
    char *room = bytes_builder_room(b, 4);
    if (!room) return -1;
    b->used += (char *)put((byte *)room, c, wide, big) - room;
    return 0;
}

/* A handler's answer for s[start:end]: whole units of bytes, or ASCII text. */
static int write_answer(BytesBuilder *b, CodecRun *run, PyObject *answer, PyObject *s, Py_ssize_t start, Py_ssize_t end, bool wide, bool big)
{
    int status = -1;
    if (PyBytes_Check(answer)) {
        if (PyBytes_GET_SIZE(answer) % (wide ? 4 : 2)) codec_raise_encode_error(run, "surrogates not allowed", s, start, end);
        else status = bytes_builder_write(b, PyBytes_AS_STRING(answer), PyBytes_GET_SIZE(answer));
    }
    else if (!PyUnicode_IS_ASCII(answer)) codec_raise_encode_error(run, "surrogates not allowed", s, start, end);
    else {
        status = 0;
        for (Py_ssize_t i = 0; status == 0 && i < LENGTH(answer); i++) status = write_char(b, PyUnicode_READ_CHAR(answer, i), wide, big);
    }
    Py_DECREF(answer);
    return status;
}

static PyObject *encode(PyObject *s, const char *errors, int byteorder, bool wide)
{
    if (!PyUnicode_Check(s)) {
        PyErr_BadArgument();
        return NULL;
    }
    const char *name = wide ? (byteorder == 0 ? "utf-32" : byteorder < 0 ? "utf-32-le" : "utf-32-be")
                            : (byteorder == 0 ? "utf-16" : byteorder < 0 ? "utf-16-le" : "utf-16-be");
    bool big = byteorder == 0 ? PY_BIG_ENDIAN : byteorder > 0;
    CodecRun run = codec_run(name, errors);
    Py_ssize_t n = LENGTH(s), i = 0, unit = wide || KIND(s) == 4 ? 4 : 2;
    int kind = KIND(s);
    BytesBuilder b;
    if (n > PY_SSIZE_T_MAX / 4 - 1) return PyErr_NoMemory();
    if (bytes_builder_init(&b, n * (wide ? 4 : 2) + (byteorder == 0) * 4) < 0) return NULL;
    if (byteorder == 0 && write_char(&b, 0xfeff, wide, big) < 0) goto failed;
    while (i < n) {
        char *room = bytes_builder_room(&b, (n - i) * unit);
        if (!room) goto failed;
        byte *p = (byte *)room;
        for (; i < n; i++) {
            Py_UCS4 c = PyUnicode_READ(kind, DATA(s), i);
            if (Py_UNICODE_IS_SURROGATE(c)) break;
            p = put(p, c, wide, big);
        }
        b.used += (char *)p - room;
        if (i == n) break;
        Py_ssize_t resume;
        PyObject *answer = codec_encode_error(&run, "surrogates not allowed", s, i, i + 1, &resume);
        if (!answer || write_answer(&b, &run, answer, s, i, i + 1, wide, big) < 0) goto failed;
        i = resume;
    }
    codec_run_clear(&run);
    return bytes_builder_finish(&b);
failed:
    codec_run_clear(&run);
    bytes_builder_clear(&b);
    return NULL;
}

PyObject *_PyUnicode_EncodeUTF16(PyObject *s, const char *errors, int byteorder) { return encode(s, errors, byteorder, false); }
PyObject *_PyUnicode_EncodeUTF32(PyObject *s, const char *errors, int byteorder) { return encode(s, errors, byteorder, true); }
PyObject *PyUnicode_AsUTF16String(PyObject *s) { return encode(s, NULL, 0, false); }
PyObject *PyUnicode_AsUTF32String(PyObject *s) { return encode(s, NULL, 0, true); }
