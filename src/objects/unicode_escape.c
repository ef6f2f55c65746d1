/* The codecs unicode_escape and raw_unicode_escape. */
#include "objects/bytes.h"
#include "objects/unicode_codecs.h"
#include "objects/unicode_data.h"
#include "objects/unicode_private.h"

static inline int hex_value(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* One escape, p behind its backslash. */
typedef struct Escape {
    enum { ESCAPE_CHAR, ESCAPE_NOTHING, ESCAPE_UNKNOWN, ESCAPE_WRONG, ESCAPE_INCOMPLETE } outcome;
    Py_UCS4 ch;
    const char *reason, *next;                              /* next: behind what was read */
    bool too_large_octal;
} Escape;

static void read_hex(Escape *e, const char *p, const char *end, int digits, const char *reason, const char *too_large)
{
    Py_UCS4 c = 0;
    e->reason = reason;
    for (; digits > 0; digits--, p++) {
        e->next = p;
        if (p >= end) {
            e->outcome = ESCAPE_INCOMPLETE;
            return;
        }
        int value = hex_value(*p);
        if (value < 0) {
            e->outcome = ESCAPE_WRONG;
            return;
        }
        c = c << 4 | (Py_UCS4)value;
    }
    e->next = p;
    e->ch = c;
    e->outcome = ESCAPE_CHAR;
    if (c > UNICODE_MAX) {
        e->outcome = ESCAPE_WRONG;
        e->reason = too_large;
    }
}

static void read_name(Escape *e, const char *p, const char *end)
{
    e->reason = "malformed \\N character escape";
    e->outcome = ESCAPE_WRONG;
    e->next = p;
    if (p >= end) e->outcome = ESCAPE_INCOMPLETE;
    if (p >= end || *p != '{') return;
    const char *start = ++p;
    while (p < end && *p != '}') p++;
    e->next = p;
    if (p >= end) {
        e->outcome = ESCAPE_INCOMPLETE;
        return;
    }
    if (p == start) return;
    e->next = p + 1;
    if (p - start < 256 && unicode_lookup(start, (int)(p - start), &e->ch, false)) e->outcome = ESCAPE_CHAR;
    else e->reason = "unknown Unicode character name";
}

static Escape read_escape(const char *p, const char *end)
{
    Escape e = { .outcome = ESCAPE_CHAR, .reason = "\\ at end of string", .next = p };
    if (p >= end) {
        e.outcome = ESCAPE_INCOMPLETE;
        return e;
    }
    char c = *p++;
    e.next = p;
    switch (c) {
        case '\n': e.outcome = ESCAPE_NOTHING; break;
        case '\\': case '\'': case '"': e.ch = (unsigned char)c; break;
        case 'b': e.ch = '\b'; break;
        case 'f': e.ch = '\f'; break;
        case 't': e.ch = '\t'; break;
        case 'n': e.ch = '\n'; break;
        case 'r': e.ch = '\r'; break;
        case 'v': e.ch = '\v'; break;
        case 'a': e.ch = '\a'; break;
        case '0': case '1': case '2': case '3': case '4': case '5': case '6': case '7':
            e.ch = (Py_UCS4)(c - '0');
            for (int i = 0; i < 2 && p < end && *p >= '0' && *p <= '7'; i++) e.ch = e.ch * 8 + (Py_UCS4)(*p++ - '0');
            e.too_large_octal = e.ch > 0xff;
            e.next = p;
            break;
        case 'x': read_hex(&e, p, end, 2, "truncated \\xXX escape", ""); break;
        case 'u': read_hex(&e, p, end, 4, "truncated \\uXXXX escape", ""); break;
        case 'U': read_hex(&e, p, end, 8, "truncated \\UXXXXXXXX escape", "illegal Unicode character"); break;
        case 'N': read_name(&e, p, end); break;
        default:
            e.outcome = ESCAPE_UNKNOWN;
            e.ch = (unsigned char)c;
    }
    return e;
}

static Escape read_raw_escape(const char *p, const char *end)
{
    Escape e = { .outcome = ESCAPE_INCOMPLETE, .reason = "\\ at end of string", .next = p };
    if (p >= end) return e;
    char c = *p++;
    if (c == 'u') read_hex(&e, p, end, 4, "truncated \\uXXXX escape", "");
    else if (c == 'U') read_hex(&e, p, end, 8, "truncated \\UXXXXXXXX escape", "\\Uxxxxxxxx out of range");
    else {
        e.outcome = ESCAPE_UNKNOWN;
        e.ch = (unsigned char)c;
        e.next = p;
    }
    return e;
}

/* *suspect: of the first escape that deserves a warning, the unknown character or the octal value above 0377; else -1. */
static PyObject *decode(const char *s, Py_ssize_t n, const char *errors, Py_ssize_t *consumed, int *suspect, bool raw)
{
    CodecRun run = codec_run(raw ? "rawunicodeescape" : "unicodeescape", errors);
    DecodeInput input = { s, s + n, NULL };
    const char *p = s;
    _PyUnicodeWriter w;
    if (suspect) *suspect = -1;
    if (n == 0) {
        if (consumed) *consumed = 0;
        return EMPTY_STR;
    }
    _PyUnicodeWriter_Init(&w);
    w.overallocate = 1;
    w.min_length = n;
    while (p < input.end) {
        const char *start = p, *slash = memchr(p, '\\', (size_t)(input.end - p));
        if (!slash || (raw && slash + 1 == input.end && !consumed)) slash = input.end;
        if (_PyUnicodeWriter_WriteLatin1String(&w, start, slash - start) < 0) goto failed;
        if ((p = slash) == input.end) break;
        Escape e = raw ? read_raw_escape(p + 1, input.end) : read_escape(p + 1, input.end);
        switch (e.outcome) {
            case ESCAPE_CHAR:
                if (e.too_large_octal && suspect && *suspect < 0) *suspect = (int)e.ch;
                if (_PyUnicodeWriter_WriteChar(&w, e.ch) < 0) goto failed;
                break;
            case ESCAPE_NOTHING: break;
            case ESCAPE_UNKNOWN:
                if (suspect && *suspect < 0) *suspect = (int)e.ch;
                if (_PyUnicodeWriter_WriteChar(&w, '\\') < 0 || _PyUnicodeWriter_WriteChar(&w, e.ch) < 0) goto failed;
                break;
            default: {
                if (e.outcome == ESCAPE_INCOMPLETE && consumed) goto done;
                Py_ssize_t resume;
                PyObject *text = codec_decode_error(&run, e.reason, &input, p - input.start, e.next - input.start, &resume);
                int status = text ? _PyUnicodeWriter_WriteStr(&w, text) : -1;
                Py_XDECREF(text);
                if (status < 0) goto failed;
                e.next = input.start + resume;
            }
        }
        p = e.next;
    }
done:
    if (consumed) *consumed = p - input.start;
    codec_run_clear(&run);
    Py_XDECREF(input.replaced);
    return _PyUnicodeWriter_Finish(&w);
failed:
    codec_run_clear(&run);
    Py_XDECREF(input.replaced);
    _PyUnicodeWriter_Dealloc(&w);
    return NULL;
}

PyObject *raw_unicode_escape_decode(const char *p, Py_ssize_t n, const char *errors, Py_ssize_t *consumed)
{
    return decode(p, n, errors, consumed, NULL, true);
}

PyObject *unicode_escape_decode_warn(const char *p, Py_ssize_t n, const char *errors, Py_ssize_t *consumed)
{
    int suspect;
    PyObject *result = decode(p, n, errors, consumed, &suspect, false);
    if (!result || suspect < 0) return result;
    int status = suspect > 0xff ? PyErr_WarnFormat(PyExc_DeprecationWarning, 1, "invalid octal escape sequence '\\%o'", suspect)
                                : PyErr_WarnFormat(PyExc_DeprecationWarning, 1, "invalid escape sequence '\\%c'", suspect);
    if (status < 0) Py_CLEAR(result);
    return result;
}

PyObject *PyUnicode_DecodeUnicodeEscape(const char *p, Py_ssize_t n, const char *errors) { return unicode_escape_decode_warn(p, n, errors, NULL); }
PyObject *PyUnicode_DecodeRawUnicodeEscape(const char *p, Py_ssize_t n, const char *errors) { return decode(p, n, errors, NULL, NULL, true); }

/* ---- encoding ------------------------------------------------------------------------------------------------------------ */

static char *put_hex(char *out, char letter, Py_UCS4 c, int digits)
{
    *out++ = '\\';
    *out++ = letter;
    for (int shift = 4 * digits - 4; shift >= 0; shift -= 4) *out++ = Py_hexdigits[c >> shift & 15];
    return out;
}

static PyObject *encode(PyObject *s, bool raw)
{
    if (!PyUnicode_Check(s)) {
        PyErr_BadArgument();
        return NULL;
    }
    Py_ssize_t n = LENGTH(s);
    int kind = KIND(s), widest = kind == 1 ? 4 : kind == 2 ? 6 : 10;
    if (raw && kind == 1) return PyBytes_FromStringAndSize(DATA(s), n);
    if (n == 0) return EMPTY_BYTES;
    BytesBuilder b;
    if (bytes_builder_init(&b, n + n / 4) < 0) return NULL;
    for (Py_ssize_t i = 0; i < n; i++) {
        Py_UCS4 c = PyUnicode_READ(kind, DATA(s), i);
        char *room = bytes_builder_room(&b, widest), *out = room;
        if (!room) {
            bytes_builder_clear(&b);
            return NULL;
        }
        if (c >= 0x10000) out = put_hex(out, 'U', c, 8);
        else if (c >= 0x100) out = put_hex(out, 'u', c, 4);
        else if (raw || (c >= ' ' && c < 127 && c != '\\')) *out++ = (char)c;
        else if (c == '\t' || c == '\n' || c == '\r' || c == '\\') {
            *out++ = '\\';
            *out++ = c == '\t' ? 't' : c == '\n' ? 'n' : c == '\r' ? 'r' : '\\';
        }
        else out = put_hex(out, 'x', c, 2);
        b.used += out - room;
    }
    return bytes_builder_finish(&b);
}

PyObject *PyUnicode_AsUnicodeEscapeString(PyObject *s) { return encode(s, false); }
PyObject *PyUnicode_AsRawUnicodeEscapeString(PyObject *s) { return encode(s, true); }
