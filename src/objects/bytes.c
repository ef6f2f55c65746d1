/* bytes: objects, the type, its iterator, and the PyBytes_ functions.
 *
 * Invariant: immutable once shared; terminated by a zero byte that does not count; the empty one and those of one byte that
 * the API makes from data are static. Methods common with bytearray are in bytes_methods.h, % in bytes_percent.c. */
#include "capi/args.h"
#include "objects/bytes_private.h"

#include <stdarg.h>

#pragma GCC diagnostic ignored "-Wdeprecated-declarations"     /* ob_shash, Py_BytesWarningFlag */

enum { BYTES_HEAD = offsetof(PyBytesObject, ob_sval) };

static inline PyObject *one_byte(unsigned char c) { return (PyObject *)&_PyRuntime.bytes[c].head; }

/* ---- making ---------------------------------------------------------------------------------------------------------- */

PyObject *bytes_alloc(Py_ssize_t n)
{
    if (UNLIKELY((size_t)n > PY_SSIZE_T_MAX - BYTES_HEAD - 1)) {
        PyErr_SetString(PyExc_OverflowError, "byte string is too large");
        return NULL;
    }
    PyBytesObject *b = (PyBytesObject *)text_object_alloc(&PyBytes_Type, BYTES_HEAD + (size_t)n + 1);
    if (UNLIKELY(!b)) return NULL;
    Py_SET_SIZE(b, n);
    b->ob_shash = -1;
    b->ob_sval[n] = 0;
    return OBJECT(b);
}

PyObject *PyBytes_FromStringAndSize(const char *p, Py_ssize_t n)
{
    if (UNLIKELY(n < 0)) {
        PyErr_SetString(PyExc_SystemError, "Negative size passed to PyBytes_FromStringAndSize");
        return NULL;
    }
    if (n == 0) return EMPTY_BYTES;
    if (n == 1 && p) return one_byte((unsigned char)*p);
    PyObject *b = bytes_alloc(n);
    if (b && p) memcpy(PyBytes_AS_STRING(b), p, (size_t)n);
    return b;
}

PyObject *PyBytes_FromString(const char *s)
{
    size_t n = strlen(s);
    if (n > PY_SSIZE_T_MAX - BYTES_HEAD - 1) {
        PyErr_SetString(PyExc_OverflowError, "byte string is too long");
        return NULL;
    }
    return PyBytes_FromStringAndSize(s, (Py_ssize_t)n);
}

int bytes_builder_init(BytesBuilder *b, Py_ssize_t estimate)
{
    if (estimate < 16) estimate = 16;
    b->bytes = bytes_alloc(estimate);
    if (!b->bytes) return -1;
    b->data = PyBytes_AS_STRING(b->bytes);
    b->used = 0;
    b->size = estimate;
    return 0;
}

char *bytes_builder_grow(BytesBuilder *b, Py_ssize_t n)
{
    if (n > PY_SSIZE_T_MAX - b->used) {
        PyErr_NoMemory();
        return NULL;
    }
    Py_ssize_t need = b->used + n;
    if (need < PY_SSIZE_T_MAX - need / 4) need += need / 4;
    if (_PyBytes_Resize(&b->bytes, need) < 0) return NULL;
    b->data = PyBytes_AS_STRING(b->bytes);
    b->size = need;
    return b->data + b->used;
}

PyObject *bytes_builder_finish(BytesBuilder *b)
{
    PyObject *bytes = b->bytes;
    b->bytes = NULL;
    if (b->used <= 1) {
        PyObject *result = PyBytes_FromStringAndSize(b->data, b->used);
        Py_DECREF(bytes);
        return result;
    }
    if (b->used != b->size) _PyBytes_Resize(&bytes, b->used);
    return bytes;
}

/* Consumes the object in any case: *p is NULL after failure. */
int _PyBytes_Resize(PyObject **p, Py_ssize_t n)
{
    PyObject *b = *p;
    if (!PyBytes_Check(b) || n < 0) {
        *p = NULL;
        Py_XDECREF(b);
        PyErr_BadInternalCall();
        return -1;
    }
    if (PyBytes_GET_SIZE(b) == n) return 0;
    if (n == 0 || PyBytes_GET_SIZE(b) == 0) {
        *p = n == 0 ? EMPTY_BYTES : bytes_alloc(n);
        Py_DECREF(b);
        return *p ? 0 : -1;
    }
    if (Py_REFCNT(b) != 1 || !PyBytes_CheckExact(b)) {      /* others look at it: a copy */
        Py_ssize_t keep = PyBytes_GET_SIZE(b) < n ? PyBytes_GET_SIZE(b) : n;
        *p = keep == n ? PyBytes_FromStringAndSize(PyBytes_AS_STRING(b), n) : bytes_alloc(n);
        if (*p && keep < n) memcpy(PyBytes_AS_STRING(*p), PyBytes_AS_STRING(b), (size_t)keep);
        Py_DECREF(b);
        return *p ? 0 : -1;
    }
    PyBytesObject *moved = (size_t)n > PY_SSIZE_T_MAX - BYTES_HEAD - 1 ? NULL
        : text_object_realloc(b, BYTES_HEAD + (size_t)PyBytes_GET_SIZE(b) + 1, BYTES_HEAD + (size_t)n + 1);
    if (!moved) {
        *p = NULL;
        Py_DECREF(b);
        PyErr_NoMemory();
        return -1;
    }
    Py_SET_SIZE(moved, n);
    moved->ob_shash = -1;
    moved->ob_sval[n] = 0;
    *p = OBJECT(moved);
    return 0;
}

PyObject *PyBytes_FromObject(PyObject *o)
{
    if (!o) {
        PyErr_BadInternalCall();
        return NULL;
    }
    if (PyBytes_CheckExact(o)) return Py_NewRef(o);
    if (PyObject_CheckBuffer(o)) {
        Py_buffer view;
        if (PyObject_GetBuffer(o, &view, PyBUF_FULL_RO) < 0) return NULL;
        PyObject *b = PyBytes_FromStringAndSize(NULL, view.len);
        if (b && view.len && PyBuffer_ToContiguous(PyBytes_AS_STRING(b), &view, view.len, 'C') < 0) Py_CLEAR(b);
        PyBuffer_Release(&view);
        return b;
    }
    if (!PyUnicode_Check(o)) return bytes_from_iterable(o);
    PyErr_Format(PyExc_TypeError, "cannot convert '%.200s' object to bytes", Py_TYPE(o)->tp_name);
    return NULL;
}

/* What bytes(x, encoding, errors) is, as an exact bytes or what __bytes__ gave. */
static PyObject *bytes_create(PyObject *x, PyObject *encoding, PyObject *errors)
{
    const char *e1 = NULL, *e2 = NULL;
    if (encoding && !(e1 = text_codec_arg("bytes", "argument 'encoding'", encoding))) return NULL;
    if (errors && !(e2 = text_codec_arg("bytes", "argument 'errors'", errors))) return NULL;
    if (!x || ((e1 || e2) && !PyUnicode_Check(x))) {
        if (!e1 && !e2) return EMPTY_BYTES;
        PyErr_SetString(PyExc_TypeError, e1 ? "encoding without a string argument" : "errors without a string argument");
        return NULL;
    }
    if (e1) return PyUnicode_AsEncodedString(x, e1, e2);
    if (e2) goto no_encoding;
    PyObject *result = PyBytes_CheckExact(x) ? Py_NewRef(x) : bytes_special(x);
    if (result || PyErr_Occurred()) return result;
    if (PyUnicode_Check(x)) goto no_encoding;
    if (PyIndex_Check(x)) {
        Py_ssize_t n = PyNumber_AsSsize_t(x, PyExc_OverflowError);
        if (n == -1 && PyErr_Occurred()) {
            if (!PyErr_ExceptionMatches(PyExc_TypeError)) return NULL;
            PyErr_Clear();                                  /* __index__ does not work: perhaps it is iterable */
            return PyBytes_FromObject(x);
        }
        if (n < 0) {
            PyErr_SetString(PyExc_ValueError, "negative count");
            return NULL;
        }
        if (!(result = PyBytes_FromStringAndSize(NULL, n))) return NULL;
        if (n) memset(PyBytes_AS_STRING(result), 0, (size_t)n);
        return result;
    }
    return PyBytes_FromObject(x);
no_encoding:
    PyErr_SetString(PyExc_TypeError, "string argument without an encoding");
    return NULL;
}

static PyObject *bytes_new_subtype(PyTypeObject *type, PyObject *bytes)      /* steals bytes */
{
    Py_ssize_t n = PyBytes_GET_SIZE(bytes);
    PyObject *o = type->tp_alloc(type, n);
    if (o) {
        memcpy(PyBytes_AS_STRING(o), PyBytes_AS_STRING(bytes), (size_t)n + 1);
        ((PyBytesObject *)o)->ob_shash = ((PyBytesObject *)bytes)->ob_shash;
    }
    Py_DECREF(bytes);
    return o;
}

SIGNATURE(bytes_new_signature, "bytes", KEYWORDS, "(source=b'', encoding='utf-8', errors='strict')");

static PyObject *bytes_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *arg[3];
    if (args_bind_tuple(&bytes_new_signature, args, kwargs, arg) < 0) return NULL;
    PyObject *bytes = bytes_create(arg[0], arg[1], arg[2]);
    return bytes && type != &PyBytes_Type ? bytes_new_subtype(type, bytes) : bytes;
}

/* ---- access ----------------------------------------------------------------------------------------------------------- */

static int require_bytes(PyObject *o)
{
    if (LIKELY(PyBytes_Check(o))) return 0;
    PyErr_Format(PyExc_TypeError, "expected bytes, %.200s found", Py_TYPE(o)->tp_name);
    return -1;
}

Py_ssize_t PyBytes_Size(PyObject *o) { return require_bytes(o) < 0 ? -1 : PyBytes_GET_SIZE(o); }
char *PyBytes_AsString(PyObject *o) { return require_bytes(o) < 0 ? NULL : PyBytes_AS_STRING(o); }

int PyBytes_AsStringAndSize(PyObject *o, char **p, Py_ssize_t *n)
{
    if (!p) {
        PyErr_BadInternalCall();
        return -1;
    }
    if (require_bytes(o) < 0) return -1;
    *p = PyBytes_AS_STRING(o);
    if (n) *n = PyBytes_GET_SIZE(o);
    else if (strlen(*p) != (size_t)PyBytes_GET_SIZE(o)) {
        PyErr_SetString(PyExc_ValueError, "embedded null byte");
        return -1;
    }
    return 0;
}

/* ---- concatenation ---------------------------------------------------------------------------------------------------- */

static PyObject *bytes_concat(PyObject *a, PyObject *b)
{
    View va, vb;
    PyObject *result = NULL;
    va.buffer.obj = vb.buffer.obj = NULL;
    if (view_get(&va, a) < 0 || view_get(&vb, b) < 0) {
        PyErr_Format(PyExc_TypeError, "can't concat %.100s to %.100s", Py_TYPE(b)->tp_name, Py_TYPE(a)->tp_name);
        view_release(&va);
        return NULL;
    }
    if (va.length == 0 && PyBytes_CheckExact(b)) result = Py_NewRef(b);
    else if (vb.length == 0 && PyBytes_CheckExact(a)) result = Py_NewRef(a);
    else if (va.length > PY_SSIZE_T_MAX - vb.length) PyErr_NoMemory();
    else if ((result = PyBytes_FromStringAndSize(NULL, va.length + vb.length))) {
        memcpy(PyBytes_AS_STRING(result), va.data, (size_t)va.length);
        memcpy(PyBytes_AS_STRING(result) + va.length, vb.data, (size_t)vb.length);
    }
    view_release(&va);
    view_release(&vb);
    return result;
}

void PyBytes_Concat(PyObject **p, PyObject *w)
{
    if (!*p) return;
    if (!w) {
        Py_CLEAR(*p);
        return;
    }
    if (Py_REFCNT(*p) == 1 && PyBytes_CheckExact(*p) && PyBytes_GET_SIZE(*p) > 0) {     /* nobody else looks: grow in place */
        View v;
        Py_ssize_t n = PyBytes_GET_SIZE(*p);
        if (view_get(&v, w) < 0) {
            PyErr_Format(PyExc_TypeError, "can't concat %.100s to %.100s", Py_TYPE(w)->tp_name, Py_TYPE(*p)->tp_name);
            Py_CLEAR(*p);
            return;
        }
        if (v.length > PY_SSIZE_T_MAX - n) {
            PyErr_NoMemory();
            Py_CLEAR(*p);
        }
        else if (_PyBytes_Resize(p, n + v.length) == 0) memcpy(PyBytes_AS_STRING(*p) + n, v.data, (size_t)v.length);
        view_release(&v);
        return;
    }
    Py_SETREF(*p, bytes_concat(*p, w));
}

void PyBytes_ConcatAndDel(PyObject **p, PyObject *w)
{
    PyBytes_Concat(p, w);
    Py_XDECREF(w);
}

PyObject *_PyBytes_Join(PyObject *sep, PyObject *iterable)
{
    return bytes_join(PyBytes_AS_STRING(sep), PyBytes_GET_SIZE(sep), iterable, false);
}

/* ---- repr --------------------------------------------------------------------------------------------------------------- */

PyObject *PyBytes_Repr(PyObject *o, int smart_quotes)
{
    const unsigned char *p = (const unsigned char *)PyBytes_AS_STRING(o);
    Py_ssize_t n = PyBytes_GET_SIZE(o), size = 3, single = 0, dbl = 0;
    for (Py_ssize_t i = 0; i < n; i++) {
        Py_ssize_t add = 1;
        if (p[i] == '\'') single++;
        else if (p[i] == '"') dbl++;
        else if (p[i] == '\\' || p[i] == '\t' || p[i] == '\n' || p[i] == '\r') add = 2;
        else if (p[i] < ' ' || p[i] >= 127) add = 4;
        if (size > PY_SSIZE_T_MAX - add) goto too_large;
        size += add;
    }
    char quote = smart_quotes && single && !dbl ? '"' : '\'';
    if (quote == '\'') {
        if (single > PY_SSIZE_T_MAX - size) goto too_large;
        size += single;
    }
    PyObject *result = str_alloc(size, 1, true);
    if (!result) return NULL;
    char *out = DATA(result);
    *out++ = 'b';
    *out++ = quote;
    for (Py_ssize_t i = 0; i < n; i++) {
        unsigned char c = p[i];
        if (c >= ' ' && c < 127) {
            if (c == quote || c == '\\') *out++ = '\\';
            *out++ = (char)c;
            continue;
        }
        *out++ = '\\';
        if (c == '\t' || c == '\n' || c == '\r') *out++ = c == '\t' ? 't' : c == '\n' ? 'n' : 'r';
        else {
            *out++ = 'x';
            *out++ = Py_hexdigits[c >> 4];
            *out++ = Py_hexdigits[c & 15];
        }
    }
    *out = quote;
    return result;
too_large:
    PyErr_SetString(PyExc_OverflowError, "bytes object is too large to make repr");
    return NULL;
}

/* ---- escapes in literals --------------------------------------------------------------------------------------------- */

static inline int hex_value(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Bytes that s, a bytes literal's body, stands for. *invalid: the first unknown escape (behind its backslash), or NULL. */
static PyObject *bytes_decode_escape(const char *s, Py_ssize_t n, const char *errors, const char **invalid)
{
    BytesBuilder b;
    const char *start = s, *end = s + n;
    Py_ssize_t at;
    *invalid = NULL;
    if (bytes_builder_init(&b, n) < 0) return NULL;
    char *out = b.data;                                     /* the result is never longer than the input */
    while (s < end) {
        if (*s != '\\') {
            *out++ = *s++;
            continue;
        }
        if (++s == end) {
            PyErr_SetString(PyExc_ValueError, "Trailing \\ in string");
            goto failed;
        }
        char c = *s++;
        switch (c) {
            case '\n': break;
            case '\\': case '\'': case '"': *out++ = c; break;
            case 'b': *out++ = '\b'; break;
            case 'f': *out++ = '\f'; break;
            case 't': *out++ = '\t'; break;
            case 'n': *out++ = '\n'; break;
            case 'r': *out++ = '\r'; break;
            case 'v': *out++ = '\v'; break;
            case 'a': *out++ = '\a'; break;
            case '0': case '1': case '2': case '3': case '4': case '5': case '6': case '7': {
                int value = c - '0';
                for (int i = 0; i < 2 && s < end && *s >= '0' && *s <= '7'; i++) value = value * 8 + *s++ - '0';
                if (value > 0xff && !*invalid) *invalid = s - 3;     /* back to the first of three digits */
                *out++ = (char)value;
                break;
            }
            case 'x':
                if (end - s >= 2 && hex_value(s[0]) >= 0 && hex_value(s[1]) >= 0) {
                    *out++ = (char)(hex_value(s[0]) << 4 | hex_value(s[1]));
                    s += 2;
                    break;
                }
                at = s - 2 - start;
                if (s < end && hex_value(*s) >= 0) s++;
                if (!errors || strcmp(errors, "strict") == 0) {
                    PyErr_Format(PyExc_ValueError, "invalid \\x escape at position %zd", at);
                    goto failed;
                }
                if (strcmp(errors, "replace") == 0) *out++ = '?';
                else if (strcmp(errors, "ignore") != 0) {
                    PyErr_Format(PyExc_ValueError, "decoding error; unknown error handling code: %.400s", errors);
                    goto failed;
                }
                break;
            default:
                if (!*invalid) *invalid = s - 1;
                *out++ = '\\';
                *out++ = c;
        }
    }
    b.used = out - b.data;
    return bytes_builder_finish(&b);
failed:
    bytes_builder_clear(&b);
    return NULL;
}

PyObject *PyBytes_DecodeEscape(const char *s, Py_ssize_t n, const char *errors, Py_ssize_t Py_UNUSED(unicode), const char *Py_UNUSED(encoding))
{
    const char *invalid;
    PyObject *result = bytes_decode_escape(s, n, errors, &invalid);
    if (!result || !invalid) return result;
    unsigned char c = (unsigned char)*invalid;
    int status = c >= '4' && c <= '7'
        ? PyErr_WarnFormat(PyExc_DeprecationWarning, 1, "invalid octal escape sequence '\\%.3s'", invalid)
        : PyErr_WarnFormat(PyExc_DeprecationWarning, 1, "invalid escape sequence '\\%c'", c);
    if (status < 0) Py_CLEAR(result);
    return result;
}

/* ---- printf -------------------------------------------------------------------------------------------------------------- */

PyObject *PyBytes_FromFormatV(const char *format, va_list list)
{
    BytesBuilder b;
    va_list args;
    if (bytes_builder_init(&b, (Py_ssize_t)strlen(format)) < 0) return NULL;
    va_copy(args, list);
    for (const char *f = format; *f;) {
        if (*f != '%') {
            const char *start = f;
            while (*f && *f != '%') f++;
            if (bytes_builder_write(&b, start, f - start) < 0) goto failed;
            continue;
        }
        const char *start = f++;
        Py_ssize_t precision = -1;
        bool is_long = false, is_size = false;
        char text[64];
        int n = -1;
        while (Py_ISDIGIT(*f)) f++;                         /* a width is accepted and means nothing */
        if (*f == '.') {
            precision = 0;
            for (f++; Py_ISDIGIT(*f); f++) precision = precision * 10 + (*f - '0');
        }
        while (*f && *f != '%' && !Py_ISALPHA(*f)) f++;
        if (*f == 'l' && (f[1] == 'd' || f[1] == 'u')) { is_long = true; f++; }
        else if (*f == 'z' && (f[1] == 'd' || f[1] == 'u')) { is_size = true; f++; }
        switch (*f) {
            case 'c': {
                int c = va_arg(args, int);
                if (c < 0 || c > 255) {
                    PyErr_SetString(PyExc_OverflowError, "PyBytes_FromFormatV(): %c format expects an integer in range [0; 255]");
                    goto failed;
                }
                text[0] = (char)c;
                n = 1;
                break;
            }
            case 'd':
                n = is_long ? sprintf(text, "%ld", va_arg(args, long)) : is_size ? sprintf(text, "%zd", va_arg(args, Py_ssize_t)) : sprintf(text, "%d", va_arg(args, int));
                break;
            case 'u':
                n = is_long ? sprintf(text, "%lu", va_arg(args, unsigned long)) : is_size ? sprintf(text, "%zu", va_arg(args, size_t)) : sprintf(text, "%u", va_arg(args, unsigned));
                break;
            case 'i': n = sprintf(text, "%i", va_arg(args, int)); break;
            case 'x': n = sprintf(text, "%x", va_arg(args, unsigned)); break;
            case 'p': n = sprintf(text, "0x%llx", (unsigned long long)(uintptr_t)va_arg(args, void *)); break;
            case '%': text[0] = '%'; n = 1; break;
            case 's': {
                const char *s = va_arg(args, const char *);
                if (bytes_builder_write(&b, s, (Py_ssize_t)(precision < 0 ? strlen(s) : strnlen(s, (size_t)precision))) < 0) goto failed;
                n = 0;
                break;
            }
            default: break;
        }
        if (n < 0) {                                        /* unknown: the rest as it is */
            if (bytes_builder_write(&b, start, (Py_ssize_t)strlen(start)) < 0) goto failed;
            break;
        }
        if (bytes_builder_write(&b, text, n) < 0) goto failed;
        f++;
    }
    va_end(args);
    return bytes_builder_finish(&b);
failed:
    va_end(args);
    bytes_builder_clear(&b);
    return NULL;
}

PyObject *PyBytes_FromFormat(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    PyObject *result = PyBytes_FromFormatV(format, args);
    va_end(args);
    return result;
}

/* ---- methods -------------------------------------------------------------------------------------------------------------- */

static PyObject *bytes_same(PyObject *o)
{
    return PyBytes_CheckExact(o) ? Py_NewRef(o) : PyBytes_FromStringAndSize(PyBytes_AS_STRING(o), PyBytes_GET_SIZE(o));
}

#define RAW_DATA(o) PyBytes_AS_STRING(o)
#define RAW_NEW(p, n) PyBytes_FromStringAndSize(p, n)
#define RAW_SAME(o) bytes_same(o)
#define RAW_IS_BYTEARRAY 0
#include "objects/bytes_methods.h"

BUILTIN_NOARGS(bytes, __getnewargs__, "($self, /)", "For pickling: the arguments of __new__.")
{
    return Py_BuildValue("(y#)", PyBytes_AS_STRING(self), PyBytes_GET_SIZE(self));
}

BUILTIN_NOARGS(bytes, __bytes__, "($self, /)", "These bytes as an exact bytes object.") { return bytes_same(self); }

static PyMethodDef bytes_methods[] = { RAW_METHODS, METHOD_UNDOCUMENTED(bytes, __getnewargs__), METHOD(bytes, __bytes__), { 0 } };

/* ---- slots ------------------------------------------------------------------------------------------------------------------ */

static Py_hash_t bytes_hash(PyObject *o)
{
    PyBytesObject *b = (PyBytesObject *)o;
    if (b->ob_shash == -1) b->ob_shash = _Py_HashBytes(b->ob_sval, Py_SIZE(b));
    return b->ob_shash;
}

static int warn_comparison(PyObject *a, PyObject *b)
{
    if (PyUnicode_Check(a) || PyUnicode_Check(b)) return PyErr_WarnEx(PyExc_BytesWarning, "Comparison between bytes and string", 1);
    if (PyLong_Check(a) || PyLong_Check(b)) return PyErr_WarnEx(PyExc_BytesWarning, "Comparison between bytes and int", 1);
    return 0;
}

static PyObject *bytes_richcompare(PyObject *a, PyObject *b, int op)
{
    if (!PyBytes_Check(a) || !PyBytes_Check(b)) {
        if (UNLIKELY(Py_BytesWarningFlag) && (op == Py_EQ || op == Py_NE) && warn_comparison(a, b) < 0) return NULL;
        Py_RETURN_NOTIMPLEMENTED;
    }
    Py_ssize_t n = PyBytes_GET_SIZE(a), m = PyBytes_GET_SIZE(b);
    if (op == Py_EQ || op == Py_NE) {
        bool equal = a == b || (n == m && memcmp(PyBytes_AS_STRING(a), PyBytes_AS_STRING(b), (size_t)n) == 0);
        return PyBool_FromLong(equal == (op == Py_EQ));
    }
    int c = a == b ? 0 : memcmp(PyBytes_AS_STRING(a), PyBytes_AS_STRING(b), (size_t)(n < m ? n : m));
    if (c == 0) c = n < m ? -1 : n > m;
    Py_RETURN_RICHCOMPARE(c, 0, op);
}

static PyObject *bytes_tp_repr(PyObject *o) { return PyBytes_Repr(o, 1); }

static PyObject *bytes_tp_str(PyObject *o)
{
    if (Py_BytesWarningFlag && PyErr_WarnEx(PyExc_BytesWarning, "str() on a bytes instance", 1) < 0) return NULL;
    return PyBytes_Repr(o, 1);
}

static Py_ssize_t bytes_length(PyObject *o) { return PyBytes_GET_SIZE(o); }

static PyObject *bytes_repeat(PyObject *o, Py_ssize_t times)
{
    Py_ssize_t n = PyBytes_GET_SIZE(o);
    if (times < 0) times = 0;
    if (n && times > PY_SSIZE_T_MAX / n) {
        PyErr_SetString(PyExc_OverflowError, "repeated bytes are too long");
        return NULL;
    }
    if (n * times == n && PyBytes_CheckExact(o)) return Py_NewRef(o);
    PyObject *result = bytes_alloc(n * times);               /* a new object even when empty */
    if (!result || n * times == 0) return result;
    char *p = PyBytes_AS_STRING(result);
    if (n == 1) memset(p, PyBytes_AS_STRING(o)[0], (size_t)times);
    else {
        size_t done = (size_t)n, all = done * (size_t)times;
        memcpy(p, PyBytes_AS_STRING(o), done);
        for (size_t step; done < all; done += step) memcpy(p + done, p, step = done < all - done ? done : all - done);
    }
    return result;
}

static PyObject *bytes_item(PyObject *o, Py_ssize_t i)
{
    if (LIKELY((size_t)i < (size_t)PyBytes_GET_SIZE(o))) return SMALL_INT((unsigned char)PyBytes_AS_STRING(o)[i]);
    PyErr_SetString(PyExc_IndexError, "index out of range");
    return NULL;
}

static PyObject *bytes_subscript(PyObject *o, PyObject *key)
{
    if (PyIndex_Check(key)) {
        Py_ssize_t i = PyNumber_AsSsize_t(key, PyExc_IndexError);
        if (i == -1 && PyErr_Occurred()) return NULL;
        return bytes_item(o, i < 0 ? i + PyBytes_GET_SIZE(o) : i);
    }
    if (PySlice_Check(key)) {
        Py_ssize_t start, stop, step;
        if (PySlice_Unpack(key, &start, &stop, &step) < 0) return NULL;
        Py_ssize_t n = PySlice_AdjustIndices(PyBytes_GET_SIZE(o), &start, &stop, step);
        if (n <= 0) return EMPTY_BYTES;
        if (step == 1 && n == PyBytes_GET_SIZE(o) && PyBytes_CheckExact(o)) return Py_NewRef(o);
        const char *p = PyBytes_AS_STRING(o);
        if (step == 1) return PyBytes_FromStringAndSize(p + start, n);
        PyObject *result = PyBytes_FromStringAndSize(NULL, n);
        if (!result) return NULL;
        char *out = PyBytes_AS_STRING(result);
        for (Py_ssize_t i = 0, at = start; i < n; i++, at += step) out[i] = p[at];
        return result;
    }
    PyErr_Format(PyExc_TypeError, "byte indices must be integers or slices, not %.200s", Py_TYPE(key)->tp_name);
    return NULL;
}

static int bytes_getbuffer(PyObject *o, Py_buffer *view, int flags)
{
    return PyBuffer_FillInfo(view, o, PyBytes_AS_STRING(o), PyBytes_GET_SIZE(o), 1, flags);
}

static PyObject *bytes_mod(PyObject *left, PyObject *right)
{
    if (!PyBytes_Check(left)) Py_RETURN_NOTIMPLEMENTED;
    return bytes_percent(PyBytes_AS_STRING(left), PyBytes_GET_SIZE(left), right, false);
}

static PyObject *bytes_iter(PyObject *o);
static void bytes_dealloc(PyObject *o) { Py_TYPE(o)->tp_free(o); }

static PyNumberMethods bytes_as_number = { .nb_remainder = bytes_mod };

static PySequenceMethods bytes_as_sequence = {
    .sq_length = bytes_length, .sq_concat = bytes_concat, .sq_repeat = bytes_repeat, .sq_item = bytes_item, .sq_contains = raw_contains,
};

static PyMappingMethods bytes_as_mapping = { .mp_length = bytes_length, .mp_subscript = bytes_subscript };
static PyBufferProcs bytes_as_buffer = { .bf_getbuffer = bytes_getbuffer };

PyTypeObject PyBytes_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "bytes",
    .tp_doc = "bytes(iterable_of_ints) -> bytes\n"
              "bytes(string, encoding[, errors]) -> bytes\n"
              "bytes(bytes_or_buffer) -> immutable copy of bytes_or_buffer\n"
              "bytes(int) -> bytes object of size given by the parameter initialized with null bytes\n"
              "bytes() -> empty bytes object\n\nAn immutable array of bytes.",
    .tp_basicsize = BYTES_HEAD + 1,
    .tp_itemsize = 1,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_BYTES_SUBCLASS | _Py_TPFLAGS_MATCH_SELF,
    .tp_dealloc = bytes_dealloc,
    .tp_repr = bytes_tp_repr,
    .tp_as_number = &bytes_as_number,
    .tp_as_sequence = &bytes_as_sequence,
    .tp_as_mapping = &bytes_as_mapping,
    .tp_as_buffer = &bytes_as_buffer,
    .tp_hash = bytes_hash,
    .tp_str = bytes_tp_str,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_richcompare = bytes_richcompare,
    .tp_iter = bytes_iter,
    .tp_methods = bytes_methods,
    .tp_base = &PyBaseObject_Type,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = bytes_new,
    .tp_free = PyObject_Free,
};

/* ---- iterator ------------------------------------------------------------------------------------------------------------------ */

typedef struct BytesIterator {
    PyObject_HEAD
    Py_ssize_t index;
    PyObject *bytes;                                        /* NULL once exhausted */
} BytesIterator;

static PyObject *bytes_iter(PyObject *o)
{
    BytesIterator *it = PyObject_GC_New(BytesIterator, &PyBytesIter_Type);
    if (!it) return NULL;
    it->index = 0;
    it->bytes = Py_NewRef(o);
    PyObject_GC_Track(it);
    return OBJECT(it);
}

static void bytes_iterator_dealloc(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    Py_XDECREF(((BytesIterator *)self)->bytes);
    PyObject_GC_Del(self);
}

static int bytes_iterator_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(((BytesIterator *)self)->bytes);
    return 0;
}

static PyObject *bytes_iterator_next(PyObject *self)
{
    BytesIterator *it = (BytesIterator *)self;
    PyObject *bytes = it->bytes;
    if (!bytes) return NULL;
    if (it->index < PyBytes_GET_SIZE(bytes)) return SMALL_INT((unsigned char)PyBytes_AS_STRING(bytes)[it->index++]);
    it->bytes = NULL;
    Py_DECREF(bytes);
    return NULL;
}

BUILTIN_NOARGS(bytes_iterator, __length_hint__, "($self, /)", "How many bytes are still to come.")
{
    BytesIterator *it = (BytesIterator *)self;
    return PyLong_FromSsize_t(it->bytes ? PyBytes_GET_SIZE(it->bytes) - it->index : 0);
}

BUILTIN_NOARGS(bytes_iterator, __reduce__, "($self, /)", "State for pickling.")
{
    PyObject *builtins = PyEval_GetBuiltins(), *iter = builtins ? PyMapping_GetItemString(builtins, "iter") : NULL;
    BytesIterator *it = (BytesIterator *)self;
    if (!iter) return NULL;
    if (it->bytes) return Py_BuildValue("N(O)n", iter, it->bytes, it->index);
    return Py_BuildValue("N(())", iter);
}

BUILTIN_O(bytes_iterator, __setstate__, "($self, state, /)", "Sets the position, as pickling saved it.")
{
    BytesIterator *it = (BytesIterator *)self;
    Py_ssize_t index = PyLong_AsSsize_t(arg);
    if (index == -1 && PyErr_Occurred()) return NULL;
    if (it->bytes) it->index = index < 0 ? 0 : index > PyBytes_GET_SIZE(it->bytes) ? PyBytes_GET_SIZE(it->bytes) : index;
    Py_RETURN_NONE;
}

static PyMethodDef bytes_iterator_methods[] = {
    METHOD(bytes_iterator, __length_hint__), METHOD(bytes_iterator, __reduce__), METHOD(bytes_iterator, __setstate__), { 0 },
};

PyTypeObject PyBytesIter_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "bytes_iterator",
    .tp_basicsize = sizeof(BytesIterator),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_dealloc = bytes_iterator_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_traverse = bytes_iterator_traverse,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = bytes_iterator_next,
    .tp_methods = bytes_iterator_methods,
};
