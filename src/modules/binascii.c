/* binascii: bytes to and from text: uuencode, base64, hexadecimal, quoted-printable; checksums. */
#include "capi/args.h"

#include <string.h>
#include <zlib.h>

typedef struct BinasciiState { PyObject *error, *incomplete; } BinasciiState;

static BinasciiState *state_of(PyObject *module) { return PyModule_GetState(module); }

static PyObject *fail(PyObject *module, const char *text)
{
    PyErr_SetString(state_of(module)->error, text);
    return NULL;
}

/* ---- arguments -------------------------------------------------------------------------------------------------------------------------------- */

/* Text that is ASCII, or any buffer. 0 or -1; release the view afterwards. */
static int ascii_argument(PyObject *o, Py_buffer *view)
{
    if (PyUnicode_Check(o)) {
        if (!PyUnicode_IS_ASCII(o)) {
            PyErr_SetString(PyExc_ValueError, "string argument should contain only ASCII characters");
            return -1;
        }
        return PyBuffer_FillInfo(view, o, PyUnicode_1BYTE_DATA(o), PyUnicode_GET_LENGTH(o), 1, PyBUF_SIMPLE);
    }
    if (PyObject_GetBuffer(o, view, PyBUF_SIMPLE) == 0) return 0;
    PyErr_Format(PyExc_TypeError, "argument should be bytes, buffer or ASCII string, not '%.100s'", Py_TYPE(o)->tp_name);
    return -1;
}

static int bytes_argument(PyObject *o, Py_buffer *view) { return PyObject_GetBuffer(o, view, PyBUF_SIMPLE); }

static int flag_argument(PyObject *o, int default_value) { return o ? PyObject_IsTrue(o) : default_value; }

/* Bytes that are written once and cut at the end. */
typedef struct Output { PyObject *bytes; unsigned char *p; } Output;

static int output_begin(Output *out, Py_ssize_t room)
{
    out->bytes = PyBytes_FromStringAndSize(NULL, room > 1 ? room : 2);       /* never the shared one-byte strings */
    out->p = out->bytes ? (unsigned char *)PyBytes_AS_STRING(out->bytes) : NULL;
    return out->bytes ? 0 : -1;
}

static PyObject *output_end(Output *out)
{
    Py_ssize_t size = (char *)out->p - PyBytes_AS_STRING(out->bytes);
    if (size < 2) {
        PyObject *small = PyBytes_FromStringAndSize(PyBytes_AS_STRING(out->bytes), size);
        Py_DECREF(out->bytes);
        return small;
    }
    _PyBytes_Resize(&out->bytes, size);
    return out->bytes;
}

/* ---- uuencode ------------------------------------------------------------------------------------------------------------------------------------- */

static PyObject *uu_decode(PyObject *module, const unsigned char *p, Py_ssize_t n)
{
    Output out;
    Py_ssize_t left = ((n > 0 ? *p : 0) - ' ') & 63;         /* the first character is the number of bytes */
    if (n > 0) p++, n--;
    if (output_begin(&out, left) < 0) return NULL;
    unsigned window = 0;
    for (int bits = 0; left > 0; p++, n--) {
        unsigned c = n > 0 ? *p : 0;
        if (c == '\n' || c == '\r' || n <= 0) c = 0;         /* spaces at the end of the line may have been eaten */
        else {
            if (c < ' ' || c > ' ' + 64) {                   /* 64: '`' stands for zero, too */
                Py_DECREF(out.bytes);
                return fail(module, "Illegal char");
            }
            c = (c - ' ') & 63;
        }
        window = window << 6 | c;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            *out.p++ = (unsigned char)(window >> bits);
            window &= (1u << bits) - 1;
            left--;
        }
    }
    for (; n > 0; p++, n--) {
        if (*p != ' ' && *p != ' ' + 64 && *p != '\n' && *p != '\r') {
            Py_DECREF(out.bytes);
            return fail(module, "Trailing garbage");
        }
    }
    return output_end(&out);
}

BUILTIN_O(binascii, a2b_uu, "($module, data, /)", "Decode a line of uuencoded data.")
{
    Py_buffer view;
    if (ascii_argument(arg, &view) < 0) return NULL;
    PyObject *result = uu_decode(self, view.buf, view.len);
    PyBuffer_Release(&view);
    return result;
}

BUILTIN(binascii, b2a_uu, KEYWORDS, "($module, data, /, *, backtick=False)", "Uuencode a line of data.")
{
    Py_buffer view;
    int backtick = flag_argument(arg[1], 0);
    if (backtick < 0 || bytes_argument(arg[0], &view) < 0) return NULL;
    const unsigned char *p = view.buf;
    Py_ssize_t n = view.len;
    PyObject *result = NULL;
    Output out;
    if (n > 45) fail(self, "At most 45 bytes at once");
    else if (output_begin(&out, 2 + (n + 2) / 3 * 4) == 0) {
        unsigned char zero = backtick ? '`' : ' ';
        unsigned window = 0;
        *out.p++ = n ? (unsigned char)(' ' + n) : zero;
        for (int bits = 0; n > 0 || bits != 0; n--, p++) {
            window = window << 8 | (n > 0 ? *p : 0);
            bits += 8;
            while (bits >= 6) {
                bits -= 6;
                unsigned c = window >> bits & 63;
                *out.p++ = c ? (unsigned char)(' ' + c) : zero;
            }
        }
        *out.p++ = '\n';
        result = output_end(&out);
    }
    PyBuffer_Release(&view);
    return result;
}

/* ---- base64 --------------------------------------------------------------------------------------------------------------------------------------- */

static const char base64_letters[65] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* The six bits of a character, or 64. */
static inline unsigned base64_value(unsigned char c)
{
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26u;
    if (c >= '0' && c <= '9') return c - '0' + 52u;
    return c == '+' ? 62 : c == '/' ? 63 : 64;
}

static PyObject *base64_decode(PyObject *module, const unsigned char *p, Py_ssize_t n, bool strict)
{
    Output out;
    const char *wrong = NULL;
    if (output_begin(&out, (n + 3) / 4 * 3) < 0) return NULL;
    int place = 0, pads = 0;                  /* position in the group of four */
    bool padding = false;
    unsigned rest = 0;
    for (Py_ssize_t i = 0; i < n && !wrong; i++) {
        if (p[i] == '=') {
            padding = true;
            pads++;
            if ((place >= 2 && place + pads <= 4) || !strict) continue;      /* RFC 4648: excess padding may be ignored */
            if (place == 1) break;
            wrong = place == 0 && i == 0 ? "Leading padding not allowed" : "Excess padding not allowed";
            continue;
        }
        unsigned value = base64_value(p[i]);
        if (value >= 64) {
            if (strict) wrong = "Only base64 data is allowed";
            continue;
        }
        if (strict && padding) {
            wrong = place + pads == 4 ? "Excess data after padding" : "Discontinuous padding not allowed";
            continue;
        }
        pads = 0;
        rest = rest << 6 | value;
        if (place > 0) *out.p++ = (unsigned char)(rest >> (6 - 2 * place));
        place = (place + 1) & 3;
    }
    if (!wrong && place == 1) {
        PyErr_Format(state_of(module)->error,
                     "Invalid base64-encoded string: number of data characters (%zd) cannot be 1 more than a multiple of 4",
                     ((char *)out.p - PyBytes_AS_STRING(out.bytes)) / 3 * 4 + 1);
        Py_DECREF(out.bytes);
        return NULL;
    }
    if (!wrong && place && place + pads < 4) wrong = "Incorrect padding";
    if (!wrong) return output_end(&out);
    Py_DECREF(out.bytes);
    return fail(module, wrong);
}

BUILTIN(binascii, a2b_base64, KEYWORDS, "($module, data, /, *, strict_mode=False)",
    "Decode a line of base64 data.\n\n  strict_mode\n    Accept nothing that is not base64, and padding only where it belongs.")
{
    Py_buffer view;
    int strict = flag_argument(arg[1], 0);
    if (strict < 0 || ascii_argument(arg[0], &view) < 0) return NULL;
    PyObject *result = base64_decode(self, view.buf, view.len, strict);
    PyBuffer_Release(&view);
    return result;
}

BUILTIN(binascii, b2a_base64, KEYWORDS, "($module, data, /, *, newline=True)", "Encode a line of data as base64.")
{
    Py_buffer view;
    int newline = flag_argument(arg[1], 1);
    if (newline < 0 || bytes_argument(arg[0], &view) < 0) return NULL;
    PyObject *result = NULL;
    const unsigned char *p = view.buf;
    Py_ssize_t n = view.len;
    Output out;
    if (n > (PY_SSIZE_T_MAX - 3) / 2) fail(self, "Too much data for base64 line");
    else if (output_begin(&out, (n + 2) / 3 * 4 + 1) == 0) {
        for (; n >= 3; p += 3, n -= 3) {
            unsigned group = (unsigned)p[0] << 16 | (unsigned)p[1] << 8 | p[2];
            *out.p++ = (unsigned char)base64_letters[group >> 18];
            *out.p++ = (unsigned char)base64_letters[group >> 12 & 63];
            *out.p++ = (unsigned char)base64_letters[group >> 6 & 63];
            *out.p++ = (unsigned char)base64_letters[group & 63];
        }
        if (n) {
            unsigned group = (unsigned)p[0] << 16 | (n == 2 ? (unsigned)p[1] << 8 : 0);
            *out.p++ = (unsigned char)base64_letters[group >> 18];
            *out.p++ = (unsigned char)base64_letters[group >> 12 & 63];
            *out.p++ = n == 2 ? (unsigned char)base64_letters[group >> 6 & 63] : '=';
            *out.p++ = '=';
        }
        if (newline) *out.p++ = '\n';
        result = output_end(&out);
    }
    PyBuffer_Release(&view);
    return result;
}

/* ---- hexadecimal ---------------------------------------------------------------------------------------------------------------------------------- */

static inline int hex_value(unsigned char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static const char hex_digits[] = "0123456789abcdef", hex_capitals[] = "0123456789ABCDEF";

static PyObject *from_hex(PyObject *module, PyObject *arg)
{
    Py_buffer view;
    if (ascii_argument(arg, &view) < 0) return NULL;
    const unsigned char *p = view.buf;
    PyObject *result = NULL;
    Output out;
    if (view.len % 2) fail(module, "Odd-length string");
    else if (output_begin(&out, view.len / 2) == 0) {
        Py_ssize_t i = 0;
        for (; i < view.len; i += 2) {
            int high = hex_value(p[i]), low = hex_value(p[i + 1]);
            if (high < 0 || low < 0) break;
            *out.p++ = (unsigned char)(high << 4 | low);
        }
        if (i == view.len) result = output_end(&out);
        else {
            Py_DECREF(out.bytes);
            fail(module, "Non-hexadecimal digit found");
        }
    }
    PyBuffer_Release(&view);
    return result;
}

/* The separator as a byte: -2 for none, -1 with an exception. */
static int separator_of(PyObject *sep)
{
    if (!sep) return -2;
    Py_ssize_t length = PyObject_Size(sep);
    if (length < 0) return -1;
    if (length != 1) {
        PyErr_SetString(PyExc_ValueError, "sep must be length 1.");
        return -1;
    }
    int c;
    if (PyUnicode_Check(sep)) c = (int)PyUnicode_READ_CHAR(sep, 0);
    else if (PyBytes_Check(sep)) c = (unsigned char)PyBytes_AS_STRING(sep)[0];
    else {
        PyErr_SetString(PyExc_TypeError, "sep must be str or bytes.");
        return -1;
    }
    if (c > 127) {
        PyErr_SetString(PyExc_ValueError, "sep must be ASCII.");
        return -1;
    }
    return c;
}

static PyObject *to_hex(PyObject *const *arg)
{
    Py_buffer view;
    int group = 1;
    if (arg[2]) {
        group = PyLong_AsInt(arg[2]);
        if (group == -1 && PyErr_Occurred()) return NULL;
    }
    if (bytes_argument(arg[0], &view) < 0) return NULL;
    const unsigned char *p = view.buf;
    PyObject *result = NULL;
    Py_ssize_t n = view.len;
    int separator = separator_of(arg[1]);
    size_t size = group < 0 ? 0u - (unsigned)group : (unsigned)group;
    if (separator == -1) goto done;
    if (separator == -2 || size == 0) size = (size_t)n + 1;
    Py_ssize_t breaks = n && size <= (size_t)n ? (Py_ssize_t)(((size_t)n - 1) / size) : 0;
    if (n > (PY_SSIZE_T_MAX - breaks) / 2) {
        PyErr_NoMemory();
        goto done;
    }
    Output out;
    if (output_begin(&out, 2 * n + breaks) < 0) goto done;
    for (Py_ssize_t i = 0; i < n; i++) {
        size_t before = group < 0 ? (size_t)i : (size_t)(n - i);             /* bytes that groups are counted by */
        if (i && before % size == 0) *out.p++ = (unsigned char)separator;
        *out.p++ = (unsigned char)hex_digits[p[i] >> 4];
        *out.p++ = (unsigned char)hex_digits[p[i] & 15];
    }
    result = output_end(&out);
done:
    PyBuffer_Release(&view);
    return result;
}

BUILTIN_O(binascii, a2b_hex, "($module, hexstr, /)", "The bytes that pairs of hexadecimal digits stand for.") { return from_hex(self, arg); }
BUILTIN_O(binascii, unhexlify, "($module, hexstr, /)", "The bytes that pairs of hexadecimal digits stand for.") { return from_hex(self, arg); }
BUILTIN(binascii, b2a_hex, KEYWORDS, "($module, /, data, sep=<unrepresentable>, bytes_per_sep=1)",
    "Two hexadecimal digits a byte, with sep between groups of bytes_per_sep, counted from the right (negative: from the left).")
{
    return to_hex(arg);
}
BUILTIN(binascii, hexlify, KEYWORDS, "($module, /, data, sep=<unrepresentable>, bytes_per_sep=1)",
    "Two hexadecimal digits a byte, with sep between groups of bytes_per_sep, counted from the right (negative: from the left).")
{
    return to_hex(arg);
}

/* ---- quoted-printable ------------------------------------------------------------------------------------------------------------------------------ */

enum { QP_LINE = 76 };

static PyObject *qp_decode(const unsigned char *p, Py_ssize_t n, bool header)
{
    Output out;
    if (output_begin(&out, n) < 0) return NULL;
    for (Py_ssize_t i = 0; i < n;) {
        if (p[i] == '=') {
            if (++i >= n) break;
            if (p[i] == '\n' || p[i] == '\r') {              /* soft line break: to the end of the line */
                while (i < n && p[i] != '\n') i++;
                if (i < n) i++;
            }
            else if (p[i] == '=') {                          /* what an old encoder wrote for "=" */
                *out.p++ = '=';
                i++;
            }
            else if (i + 1 < n && hex_value(p[i]) >= 0 && hex_value(p[i + 1]) >= 0) {
                *out.p++ = (unsigned char)(hex_value(p[i]) << 4 | hex_value(p[i + 1]));
                i += 2;
            }
            else *out.p++ = '=';
        }
        else {
            *out.p++ = header && p[i] == '_' ? ' ' : p[i];
            i++;
        }
    }
    return output_end(&out);
}

BUILTIN(binascii, a2b_qp, KEYWORDS, "($module, /, data, header=False)", "Decode quoted-printable data.")
{
    Py_buffer view;
    int header = flag_argument(arg[1], 0);
    if (header < 0 || ascii_argument(arg[0], &view) < 0) return NULL;
    PyObject *result = qp_decode(view.buf, view.len, header);
    PyBuffer_Release(&view);
    return result;
}

/* Whether the byte at i must be written as =XX. */
static bool qp_needs_escape(const unsigned char *p, Py_ssize_t n, Py_ssize_t i, int line, bool quote_tabs, bool is_text, bool header)
{
    unsigned char c = p[i];
    bool last = i + 1 == n, blank = c == ' ' || c == '\t', end = c == '\r' || c == '\n';
    if (c > 126 || c == '=' || (header && c == '_')) return true;
    if (c == '.' && line == 0 && (last || p[i + 1] == '\n' || p[i + 1] == '\r' || p[i + 1] == 0)) return true;
    if (!is_text && end) return true;
    if (blank && last) return true;
    return c < 33 && !end && (quote_tabs || !blank);
}

static void qp_soft_break(Output *out, bool crlf)
{
    *out->p++ = '=';
    if (crlf) *out->p++ = '\r';
    *out->p++ = '\n';
}

static PyObject *qp_encode(const unsigned char *p, Py_ssize_t n, bool quote_tabs, bool is_text, bool header)
{
    Output out;
    const unsigned char *newline = memchr(p, '\n', (size_t)n);
    bool crlf = newline && newline > p && newline[-1] == '\r';       /* the first line end decides for all */
    if (n > (PY_SSIZE_T_MAX - 64) / 4) return PyErr_NoMemory();
    if (output_begin(&out, 4 * n + 64) < 0) return NULL;
    unsigned char *start = out.p;
    int line = 0;
    for (Py_ssize_t i = 0; i < n;) {
        if (qp_needs_escape(p, n, i, line, quote_tabs, is_text, header)) {
            if (line + 3 >= QP_LINE) {
                qp_soft_break(&out, crlf);
                line = 0;
            }
            *out.p++ = '=';
            *out.p++ = (unsigned char)hex_capitals[p[i] >> 4];
            *out.p++ = (unsigned char)hex_capitals[p[i] & 15];
            i++;
            line += 3;
            continue;
        }
        if (is_text && (p[i] == '\n' || (p[i] == '\r' && i + 1 < n && p[i + 1] == '\n'))) {
            line = 0;
            if (out.p > start && (out.p[-1] == ' ' || out.p[-1] == '\t')) {          /* blanks at the end would get lost */
                unsigned char c = out.p[-1];
                out.p[-1] = '=';
                *out.p++ = (unsigned char)hex_capitals[c >> 4];
                *out.p++ = (unsigned char)hex_capitals[c & 15];
            }
            if (crlf) *out.p++ = '\r';
            *out.p++ = '\n';
            i += p[i] == '\r' ? 2 : 1;
            continue;
        }
        if (i + 1 != n && p[i + 1] != '\n' && line + 1 >= QP_LINE) {
            qp_soft_break(&out, crlf);
            line = 0;
        }
        line++;
        *out.p++ = header && p[i] == ' ' ? '_' : p[i];
        i++;
    }
    return output_end(&out);
}

BUILTIN(binascii, b2a_qp, KEYWORDS, "($module, /, data, quotetabs=False, istext=True, header=False)",
    "Encode data as quoted-printable.\n\nLine ends are kept when istext is true, and encoded otherwise; quotetabs encodes blanks\n"
    "and tabs as well; header writes blanks as underscores (RFC 1522).")
{
    Py_buffer view;
    int quote_tabs = flag_argument(arg[1], 0), is_text = flag_argument(arg[2], 1), header = flag_argument(arg[3], 0);
    if (quote_tabs < 0 || is_text < 0 || header < 0 || bytes_argument(arg[0], &view) < 0) return NULL;
    PyObject *result = qp_encode(view.buf, view.len, quote_tabs, is_text, header);
    PyBuffer_Release(&view);
    return result;
}

/* ---- checksums ------------------------------------------------------------------------------------------------------------------------------------- */

BUILTIN(binascii, crc_hqx, POSITIONAL, "($module, data, crc, /)", "CRC-CCITT of data, going on from crc.")
{
    Py_buffer view;
    if (bytes_argument(arg[0], &view) < 0) return NULL;
    unsigned long value = PyLong_AsUnsignedLongMask(arg[1]);
    if (value == (unsigned long)-1 && PyErr_Occurred()) {
        PyBuffer_Release(&view);
        return NULL;
    }
    unsigned crc = (unsigned)value & 0xffff;
    const unsigned char *p = view.buf;
    for (Py_ssize_t i = 0; i < view.len; i++) {
        crc ^= (unsigned)p[i] << 8;
        for (int bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1 ^ 0x1021) & 0xffff : crc << 1 & 0xffff;
    }
    PyBuffer_Release(&view);
    return PyLong_FromUnsignedLong(crc);
}

BUILTIN(binascii, crc32, POSITIONAL, "($module, data, crc=0, /)", "CRC-32 of data, going on from crc.")
{
    Py_buffer view;
    if (bytes_argument(arg[0], &view) < 0) return NULL;
    unsigned long value = arg[1] ? PyLong_AsUnsignedLongMask(arg[1]) : 0;
    if (value == (unsigned long)-1 && PyErr_Occurred()) {
        PyBuffer_Release(&view);
        return NULL;
    }
    uLong crc = (uLong)(unsigned)value;
    if (view.len > 5 * 1024) {
        Py_BEGIN_ALLOW_THREADS
        crc = crc32_z(crc, view.buf, (size_t)view.len);
        Py_END_ALLOW_THREADS
    }
    else crc = crc32_z(crc, view.len ? view.buf : (const void *)"", (size_t)view.len);
    PyBuffer_Release(&view);
    return PyLong_FromUnsignedLong(crc & 0xffffffff);
}

/* ---- module ----------------------------------------------------------------------------------------------------------------------------------------- */

static PyMethodDef binascii_methods[] = {
    METHOD(binascii, a2b_uu), METHOD(binascii, b2a_uu), METHOD(binascii, a2b_base64), METHOD(binascii, b2a_base64),
    METHOD(binascii, b2a_hex), METHOD(binascii, hexlify), METHOD(binascii, a2b_hex), METHOD(binascii, unhexlify),
    METHOD(binascii, crc_hqx), METHOD(binascii, crc32), METHOD(binascii, a2b_qp), METHOD(binascii, b2a_qp),
    {0},
};

static int binascii_exec(PyObject *module)
{
    BinasciiState *state = state_of(module);
    if (!(state->error = PyErr_NewException("binascii.Error", PyExc_ValueError, NULL))) return -1;
    if (PyModule_AddObjectRef(module, "Error", state->error) < 0) return -1;
    if (!(state->incomplete = PyErr_NewException("binascii.Incomplete", NULL, NULL))) return -1;
    return PyModule_AddObjectRef(module, "Incomplete", state->incomplete);
}

static int binascii_traverse(PyObject *module, visitproc visit, void *arg)
{
    Py_VISIT(state_of(module)->error);
    Py_VISIT(state_of(module)->incomplete);
    return 0;
}

static int binascii_clear(PyObject *module)
{
    Py_CLEAR(state_of(module)->error);
    Py_CLEAR(state_of(module)->incomplete);
    return 0;
}

static void binascii_free(void *module) { binascii_clear(module); }

static PyModuleDef_Slot binascii_slots[] = {
    { Py_mod_exec, binascii_exec },
    { Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED },
    { Py_mod_gil, Py_MOD_GIL_NOT_USED },
    {0},
};

static PyModuleDef binascii_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "binascii",
    .m_doc = "Binary data as ASCII text and back",
    .m_size = sizeof(BinasciiState),
    .m_methods = binascii_methods,
    .m_slots = binascii_slots,
    .m_traverse = binascii_traverse,
    .m_clear = binascii_clear,
    .m_free = binascii_free,
};

PyMODINIT_FUNC PyInit_binascii(void) { return PyModuleDef_Init(&binascii_module); }
