/* UTF-8. A first pass checks, counts and finds the widest character; the second converts without any check into a str of
 * exactly the right size. ASCII, by far the commonest, is one scan and one copy. Only wrong input meets the error handlers. */
#include "objects/bytes.h"
#include "objects/unicode_private.h"

typedef unsigned char byte;

static inline bool is_continuation(byte b) { return (b & 0xc0) == 0x80; }

/* Length in bytes of the character that p begins with, or what is wrong there: 0 the input ends inside it, -1 no start byte,
 * -2, -3, -4: the second, third, fourth byte does not continue it. */
static ALWAYS_INLINE int utf8_length_at(const byte *p, const byte *end)
{
    byte b = *p;
    Py_ssize_t left = end - p;
    if (b < 0x80) return 1;
    if (b < 0xc2) return -1;
    if (b < 0xe0) return left < 2 ? 0 : is_continuation(p[1]) ? 2 : -2;
    if (b < 0xf0) {
        if (left < 2) return 0;
        /* E0 80..9F would be too long, ED A0..BF a surrogate */
        if (!is_continuation(p[1]) || (p[1] < 0xa0 ? b == 0xe0 : b == 0xed)) return -2;
        return left < 3 ? 0 : is_continuation(p[2]) ? 3 : -3;
    }
    if (b < 0xf5) {
        if (left < 2) return 0;
        if (!is_continuation(p[1]) || (p[1] < 0x90 ? b == 0xf0 : b == 0xf4)) return -2;
        if (left < 3) return 0;
        if (!is_continuation(p[2])) return -3;
        return left < 4 ? 0 : is_continuation(p[3]) ? 4 : -4;
    }
    return -1;
}

/* Characters of the longest valid part at p; *stop is its end, *lead the highest lead byte in it. */
static Py_ssize_t utf8_scan(const byte *p, const byte *end, const byte **stop, byte *lead)
{
    Py_ssize_t n = 0;
    byte max = 0;
    while (p < end) {
        if (*p < 0x80) {
            size_t ascii = ascii_prefix(p, end);
            p += ascii;
            n += (Py_ssize_t)ascii;
            continue;
        }
        int length = utf8_length_at(p, end);
        if (length <= 0) break;
        if (*p > max) max = *p;
        p += length;
        n++;
    }
    *stop = p;
    *lead = max;
    return n;
}

static Py_UCS4 max_of_lead(byte lead) { return lead == 0 ? 0x7f : lead < 0xc4 ? 0xff : lead < 0xf0 ? 0xffff : UNICODE_MAX; }

#define DECODE_VALID(CHAR) \
    do { \
        CHAR *out = data; \
        while (p < end) { \
            byte b = *p; \
            if (b < 0x80) { *out++ = b; p++; } \
            else if (b < 0xe0) { *out++ = (CHAR)((b & 0x1f) << 6 | (p[1] & 0x3f)); p += 2; } \
            else if (b < 0xf0) { *out++ = (CHAR)((b & 0xf) << 12 | (p[1] & 0x3f) << 6 | (p[2] & 0x3f)); p += 3; } \
            else { *out++ = (CHAR)((b & 7) << 18 | (p[1] & 0x3f) << 12 | (p[2] & 0x3f) << 6 | (p[3] & 0x3f)); p += 4; } \
        } \
    } while (0)

static void utf8_decode_valid(const byte *p, const byte *end, int kind, void *data)
{
    if (kind == 1) DECODE_VALID(Py_UCS1);
    else if (kind == 2) DECODE_VALID(Py_UCS2);
    else DECODE_VALID(Py_UCS4);
}

/* Decodes with error handling; partial: an incomplete character at the end is left alone. */
static NOINLINE PyObject *utf8_decode_slow(const char *s, Py_ssize_t size, const char *errors, Py_ssize_t *consumed)
{
    CodecRun run = codec_run("utf-8", errors);
    ErrorHandler kind = errors_kind(errors);
    DecodeInput input = { s, s + size, NULL };
    const byte *p = (const byte *)s;
    _PyUnicodeWriter w;
    _PyUnicodeWriter_Init(&w);
    w.overallocate = 1;
    w.min_length = size;
    for (;;) {
        const byte *end = (const byte *)input.end, *stop;
        byte lead;
        Py_ssize_t n = utf8_scan(p, end, &stop, &lead);
        if (n) {
            if (_PyUnicodeWriter_Prepare(&w, n, max_of_lead(lead)) < 0) goto failed;
            utf8_decode_valid(p, stop, w.kind, chars_at(w.kind, w.data, w.pos));
            w.pos += n;
            p = stop;
        }
        if (p == end) break;
        int wrong = utf8_length_at(p, end);
        if (wrong == 0 && consumed) break;
        if (wrong == -2 && consumed && *p == 0xed && end - p == 2 && p[1] >= 0xa0 && is_continuation(p[1])) break;   /* half a surrogate */
        Py_ssize_t start = p - (const byte *)input.start, last = wrong == 0 ? end - (const byte *)input.start : start + (wrong == -1 ? 1 : -wrong - 1);
        const char *reason = wrong == 0 ? "unexpected end of data" : wrong == -1 ? "invalid start byte" : "invalid continuation byte";
        if (kind == ERRORS_IGNORE) p += last - start;
        else if (kind == ERRORS_REPLACE) {
            if (_PyUnicodeWriter_WriteChar(&w, 0xfffd) < 0) goto failed;
            p += last - start;
        }
        else if (kind == ERRORS_SURROGATEESCAPE) {
            for (; start < last; start++, p++) if (_PyUnicodeWriter_WriteChar(&w, 0xdc00 + *p) < 0) goto failed;
        }
        else {
            Py_ssize_t resume;
            PyObject *text = codec_decode_error(&run, reason, &input, start, last, &resume);
            if (!text) goto failed;
            int status = _PyUnicodeWriter_WriteStr(&w, text);
            Py_DECREF(text);
            if (status < 0) goto failed;
            p = (const byte *)input.start + resume;
        }
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

PyObject *PyUnicode_DecodeUTF8Stateful(const char *s, Py_ssize_t size, const char *errors, Py_ssize_t *consumed)
{
    const byte *p = (const byte *)s, *end = p + size, *stop;
    if (size <= 1) {
        if (size == 0) {
            if (consumed) *consumed = 0;
            return EMPTY_STR;
        }
        if (*p < 0x80) {
            if (consumed) *consumed = 1;
            return latin1_char(*p);
        }
    }
    byte lead;
    Py_ssize_t n = utf8_scan(p, end, &stop, &lead);
    if (UNLIKELY(stop != end)) return utf8_decode_slow(s, size, errors, consumed);
    if (consumed) *consumed = size;
    if (LIKELY(lead == 0)) {
        PyObject *o = str_alloc(n, 1, true);
        if (LIKELY(o)) memcpy((PyASCIIObject *)o + 1, s, (size_t)n);
        return o;
    }
    if (n == 1) {
        Py_UCS4 ch;
        utf8_decode_valid(p, end, 4, &ch);
        return str_from_char_inline(ch);
    }
    PyObject *o = str_alloc_max(n, max_of_lead(lead));
    if (o) utf8_decode_valid(p, end, KIND(o), DATA(o));
    return o;
}

PyObject *PyUnicode_DecodeUTF8(const char *s, Py_ssize_t size, const char *errors)
{
    return PyUnicode_DecodeUTF8Stateful(s, size, errors, NULL);
}

/* ---- encoding ----------------------------------------------------------------------------------------------------- */

/* Bytes that n characters take, or -1 when a surrogate is among them, or -2 when they do not fit in a size. */
static Py_ssize_t utf8_size(int kind, const void *data, Py_ssize_t n)
{
    if (n > PY_SSIZE_T_MAX / 4) return -2;
    Py_ssize_t size = n;
    if (kind == 1) {
        const Py_UCS1 *p = data;
        for (Py_ssize_t i = 0; i < n; i++) size += p[i] >> 7;
    }
    else if (kind == 2) {
        const Py_UCS2 *p = data;
        Py_ssize_t surrogates = 0;
        for (Py_ssize_t i = 0; i < n; i++) {
            size += (p[i] >= 0x80) + (p[i] >= 0x800);
            surrogates += (p[i] & 0xf800) == 0xd800;
        }
        if (surrogates) return -1;
    }
    else {
        const Py_UCS4 *p = data;
        Py_ssize_t surrogates = 0;
        for (Py_ssize_t i = 0; i < n; i++) {
            size += (p[i] >= 0x80) + (p[i] >= 0x800) + (p[i] >= 0x10000);
            surrogates += (p[i] & 0xfffff800) == 0xd800;
        }
        if (surrogates) return -1;
    }
    return size;
}

static ALWAYS_INLINE char *utf8_put(char *out, Py_UCS4 c)
{
    if (c < 0x80) *out++ = (char)c;
    else if (c < 0x800) {
        *out++ = (char)(0xc0 | c >> 6);
        *out++ = (char)(0x80 | (c & 0x3f));
    }
    else if (c < 0x10000) {
        *out++ = (char)(0xe0 | c >> 12);
        *out++ = (char)(0x80 | (c >> 6 & 0x3f));
        *out++ = (char)(0x80 | (c & 0x3f));
    }
    else {
        *out++ = (char)(0xf0 | c >> 18);
        *out++ = (char)(0x80 | (c >> 12 & 0x3f));
        *out++ = (char)(0x80 | (c >> 6 & 0x3f));
        *out++ = (char)(0x80 | (c & 0x3f));
    }
    return out;
}

static char *utf8_encode_valid(int kind, const void *data, Py_ssize_t n, char *out)
{
    WITH_KIND(kind, {
        const CHAR *p = data;
        for (Py_ssize_t i = 0; i < n; i++) out = utf8_put(out, p[i]);
    });
    return out;
}

static int write_handler_answer(BytesBuilder *b, CodecRun *run, PyObject *answer, PyObject *s, Py_ssize_t start, Py_ssize_t end)
{
    int status = -1;
    if (PyBytes_Check(answer)) status = bytes_builder_write(b, PyBytes_AS_STRING(answer), PyBytes_GET_SIZE(answer));
    else if (PyUnicode_IS_ASCII(answer)) status = bytes_builder_write(b, DATA(answer), LENGTH(answer));
    else codec_raise_encode_error(run, "surrogates not allowed", s, start, end);
    Py_DECREF(answer);
    return status;
}

/* s[start:end] are surrogates. Position to go on from, or -1. */
static Py_ssize_t encode_surrogates(BytesBuilder *b, CodecRun *run, ErrorHandler kind, PyObject *s, Py_ssize_t start, Py_ssize_t end)
{
    if (kind == ERRORS_IGNORE) return end;
    if (kind == ERRORS_REPLACE) return bytes_builder_fill(b, '?', end - start) < 0 ? -1 : end;
    if (kind == ERRORS_SURROGATEPASS) {
        char *out = bytes_builder_room(b, 3 * (end - start));
        if (!out) return -1;
        for (Py_ssize_t i = start; i < end; i++) out = utf8_put(out, PyUnicode_READ_CHAR(s, i));
        b->used += 3 * (end - start);
        return end;
    }
    if (kind == ERRORS_SURROGATEESCAPE) {
        for (; start < end; start++) {
            Py_UCS4 c = PyUnicode_READ_CHAR(s, start);
            if (c < 0xdc80 || c > 0xdcff) break;
            if (bytes_builder_byte(b, (char)(c & 0xff)) < 0) return -1;
        }
        if (start == end) return end;
    }
    else if (kind == ERRORS_BACKSLASHREPLACE || kind == ERRORS_XMLCHARREFREPLACE) {
        for (; start < end; start++) {
            char text[16];
            int n = snprintf(text, sizeof text, kind == ERRORS_BACKSLASHREPLACE ? "\\u%x" : "&#%d;", PyUnicode_READ_CHAR(s, start));
            if (bytes_builder_write(b, text, n) < 0) return -1;
        }
        return end;
    }
    Py_ssize_t resume;
    PyObject *answer = codec_encode_error(run, "surrogates not allowed", s, start, end, &resume);
    if (!answer || write_handler_answer(b, run, answer, s, start, end) < 0) return -1;
    return resume;
}

static NOINLINE PyObject *utf8_encode_slow(PyObject *s, const char *errors)
{
    CodecRun run = codec_run("utf-8", errors);
    ErrorHandler handler = errors_kind(errors);
    Py_ssize_t n = LENGTH(s), i = 0;
    int kind = KIND(s);
    const void *data = DATA(s);
    BytesBuilder b;
    if (bytes_builder_init(&b, n) < 0) return NULL;
    while (i < n) {
        Py_ssize_t start = i;
        while (i < n && !Py_UNICODE_IS_SURROGATE(PyUnicode_READ(kind, data, i))) i++;
        char *out = bytes_builder_room(&b, (i - start) * 4);
        if (!out) goto failed;
        b.used += utf8_encode_valid(kind, chars_at(kind, data, start), i - start, out) - out;
        if (i == n) break;
        for (start = i; i < n && Py_UNICODE_IS_SURROGATE(PyUnicode_READ(kind, data, i));) i++;
        if ((i = encode_surrogates(&b, &run, handler, s, start, i)) < 0) goto failed;
    }
    codec_run_clear(&run);
    return bytes_builder_finish(&b);
failed:
    codec_run_clear(&run);
    bytes_builder_clear(&b);
    return NULL;
}

PyAPI_FUNC(PyObject *) _PyUnicode_AsUTF8String(PyObject *s, const char *errors);

PyObject *_PyUnicode_AsUTF8String(PyObject *s, const char *errors)
{
    if (!PyUnicode_Check(s)) {
        PyErr_BadArgument();
        return NULL;
    }
    if (PyUnicode_IS_ASCII(s)) return PyBytes_FromStringAndSize(DATA(s), LENGTH(s));
    if (PyUnicode_IS_COMPACT(s) && COMPACT_HEAD(s)->utf8) return PyBytes_FromStringAndSize(COMPACT_HEAD(s)->utf8, COMPACT_HEAD(s)->utf8_length);
    Py_ssize_t size = utf8_size(KIND(s), DATA(s), LENGTH(s));
    if (size == -1) return utf8_encode_slow(s, errors);
    if (size < 0) return PyErr_NoMemory();
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, size);
    if (bytes) utf8_encode_valid(KIND(s), DATA(s), LENGTH(s), PyBytes_AS_STRING(bytes));
    return bytes;
}

PyObject *PyUnicode_AsUTF8String(PyObject *s) { return _PyUnicode_AsUTF8String(s, NULL); }

/* The cached UTF-8 text is a block of its own: freed with the str. A str with surrogates has none. */
static int cache_utf8(PyObject *s)
{
    Py_ssize_t size = utf8_size(KIND(s), DATA(s), LENGTH(s));
    if (size == -1) {
        PyObject *never = utf8_encode_slow(s, NULL);       /* raises */
        Py_XDECREF(never);
        return -1;
    }
    char *text = size < 0 ? NULL : PyMem_Malloc((size_t)size + 1);
    if (!text) {
        PyErr_NoMemory();
        return -1;
    }
    *utf8_encode_valid(KIND(s), DATA(s), LENGTH(s), text) = 0;
    COMPACT_HEAD(s)->utf8 = text;
    COMPACT_HEAD(s)->utf8_length = size;
    return 0;
}

const char *PyUnicode_AsUTF8AndSize(PyObject *s, Py_ssize_t *size)
{
    if (UNLIKELY(!PyUnicode_Check(s))) {
        PyErr_BadArgument();
        if (size) *size = -1;
        return NULL;
    }
    if (LIKELY(PyUnicode_IS_ASCII(s))) {
        if (size) *size = LENGTH(s);
        return DATA(s);
    }
    if (!COMPACT_HEAD(s)->utf8 && cache_utf8(s) < 0) {
        if (size) *size = -1;
        return NULL;
    }
    if (size) *size = COMPACT_HEAD(s)->utf8_length;
    return COMPACT_HEAD(s)->utf8;
}

const char *PyUnicode_AsUTF8(PyObject *s) { return PyUnicode_AsUTF8AndSize(s, NULL); }

PyAPI_FUNC(const char *) _PyUnicode_AsUTF8NoNUL(PyObject *s);

const char *_PyUnicode_AsUTF8NoNUL(PyObject *s)
{
    Py_ssize_t size;
    const char *text = PyUnicode_AsUTF8AndSize(s, &size);
    if (text && strlen(text) != (size_t)size) {
        PyErr_SetString(PyExc_ValueError, "embedded null character");
        return NULL;
    }
    return text;
}

int PyUnicode_EqualToUTF8AndSize(PyObject *s, const char *text, Py_ssize_t size)
{
    if (PyUnicode_IS_ASCII(s)) return LENGTH(s) == size && memcmp(DATA(s), text, (size_t)size) == 0;
    if (COMPACT_HEAD(s)->utf8) return COMPACT_HEAD(s)->utf8_length == size && memcmp(COMPACT_HEAD(s)->utf8, text, (size_t)size) == 0;
    const byte *p = (const byte *)text, *end = p + size;
    int kind = KIND(s);
    Py_ssize_t n = LENGTH(s);
    for (Py_ssize_t i = 0; i < n; i++) {
        Py_UCS4 c = PyUnicode_READ(kind, DATA(s), i);
        char encoded[4];
        Py_ssize_t length = utf8_put(encoded, c) - encoded;
        if (Py_UNICODE_IS_SURROGATE(c) || end - p < length || memcmp(p, encoded, (size_t)length) != 0) return 0;
        p += length;
    }
    return p == end;
}
