/* format % args for str, bytes and bytearray: one implementation.
 *
 * The format is read through its kind; text goes to a _PyUnicodeWriter. For bytes that writer holds one byte a character, from
 * the first on, and its contents become the result. */
#include "objects/bytes_private.h"
#include "objects/format.h"
#include "objects/long.h"
#include "objects/unicode_private.h"

#include <limits.h>

typedef struct Percent {
    PyObject *format;                                       /* borrowed; NULL when it is bytes */
    int kind;                                               /* of the format */
    const void *data;
    Py_ssize_t length, at;
    bool bytes;
    PyObject *args;                                         /* borrowed: the right operand; owned while owns_args */
    bool owns_args;
    PyObject *mapping;                                      /* borrowed: the right operand when it is one */
    Py_ssize_t arg_count, arg_index;                        /* -1, -2 when the right operand is the only argument */
    _PyUnicodeWriter w;
} Percent;

enum { LEFT = 1, SIGN = 2, BLANK = 4, ALTERNATE = 8, ZERO = 16 };

typedef struct Conversion { int flags; Py_ssize_t width; int precision; Py_UCS4 type; bool has_sign; } Conversion;

static int raise_with(PyObject *type, const char *text)
{
    PyErr_SetString(type, text);
    return -1;
}

static PyObject *next_argument(Percent *p)                  /* borrowed */
{
    if (p->arg_index < p->arg_count) {
        p->arg_index++;
        return p->arg_count < 0 ? p->args : PyTuple_GET_ITEM(p->args, p->arg_index - 1);
    }
    PyErr_SetString(PyExc_TypeError, "not enough arguments for format string");
    return NULL;
}

/* ---- parsing a conversion ----------------------------------------------------------------------------------------------- */

static bool peek(Percent *p, Py_UCS4 *c)
{
    if (p->at >= p->length) return false;
    *c = PyUnicode_READ(p->kind, p->data, p->at);
    return true;
}

/* Behind "%(": takes the key and makes the value the argument. */
static int parse_key(Percent *p)
{
    Py_ssize_t start = p->at, depth = 1;
    if (!p->mapping) return raise_with(PyExc_TypeError, "format requires a mapping");
    for (; depth > 0 && p->at < p->length; p->at++) {
        Py_UCS4 c = PyUnicode_READ(p->kind, p->data, p->at);
        depth += c == '(' ? 1 : c == ')' ? -1 : 0;
    }
    if (depth > 0) return raise_with(PyExc_ValueError, "incomplete format key");
    const void *text = chars_at(p->kind, p->data, start);
    Py_ssize_t n = p->at - start - 1;
    PyObject *key = p->bytes ? PyBytes_FromStringAndSize(text, n) : str_from_chars(p->kind, text, n);
    if (!key) return -1;
    PyObject *value = PyObject_GetItem(p->mapping, key);
    Py_DECREF(key);
    if (!value) return -1;
    if (p->owns_args) Py_DECREF(p->args);
    p->args = value;
    p->owns_args = true;
    p->arg_count = -1;
    p->arg_index = -2;
    return 0;
}

/* Digits or '*'; leaves *value alone when there is neither. */
static int parse_count(Percent *p, Py_ssize_t *value, Py_ssize_t max, const char *too_big)
{
    Py_UCS4 c;
    if (!peek(p, &c)) return 0;
    if (c == '*') {
        p->at++;
        PyObject *v = next_argument(p);
        if (!v) return -1;
        if (!PyLong_Check(v)) return raise_with(PyExc_TypeError, "* wants int");
        *value = max == INT_MAX ? PyLong_AsInt(v) : PyLong_AsSsize_t(v);
        return *value == -1 && PyErr_Occurred() ? -1 : 0;
    }
    if (c < '0' || c > '9') return 0;
    Py_ssize_t n = 0;
    for (; peek(p, &c) && c >= '0' && c <= '9'; p->at++) {
        if (n > (max - (Py_ssize_t)(c - '0')) / 10) return raise_with(PyExc_ValueError, too_big);
        n = n * 10 + (Py_ssize_t)(c - '0');
    }
    *value = n;
    return 0;
}

static int parse_conversion(Percent *p, Conversion *v)
{
    Py_UCS4 c;
    *v = (Conversion){ .width = -1, .precision = -1 };
    if (peek(p, &c) && c == '(') {
        p->at++;
        if (parse_key(p) < 0) return -1;
    }
    for (; peek(p, &c); p->at++) {
        if (c == '-') v->flags |= LEFT;
        else if (c == '+') v->flags |= SIGN;
        else if (c == ' ') v->flags |= BLANK;
        else if (c == '#') v->flags |= ALTERNATE;
        else if (c == '0') v->flags |= ZERO;
        else break;
    }
    if (parse_count(p, &v->width, PY_SSIZE_T_MAX, "width too big") < 0) return -1;
    if (v->width < -1 || (v->width == -1 && p->at && PyUnicode_READ(p->kind, p->data, p->at - 1) == '*')) {
        v->flags |= LEFT;
        v->width = -v->width;
    }
    if (peek(p, &c) && c == '.') {
        Py_ssize_t precision = 0;
        p->at++;
        if (parse_count(p, &precision, INT_MAX, p->bytes ? "prec too big" : "precision too big") < 0) return -1;
        v->precision = precision < 0 ? 0 : (int)precision;
    }
    if (peek(p, &c) && (c == 'h' || c == 'l' || c == 'L')) p->at++;
    if (!peek(p, &v->type)) return raise_with(PyExc_ValueError, "incomplete format");
    p->at++;
    return 0;
}

/* ---- the text of a value ------------------------------------------------------------------------------------------------- */

static PyObject *integer_type_error(const Conversion *c, PyObject *v)
{
    bool strict = c->type == 'x' || c->type == 'X' || c->type == 'o';
    PyErr_Format(PyExc_TypeError, strict ? "%%%c format: an integer is required, not %.200s" : "%%%c format: a real number is required, not %.200s",
                 (int)c->type, Py_TYPE(v)->tp_name);
    return NULL;
}

static PyObject *integer_text(const Conversion *c, PyObject *v)
{
    PyObject *number = NULL;
    if (PyLong_Check(v)) number = Py_NewRef(v);
    else {
        if (!PyNumber_Check(v)) return integer_type_error(c, v);
        bool strict = c->type == 'x' || c->type == 'X' || c->type == 'o';
        if (!(number = strict ? PyNumber_Index(v) : PyNumber_Long(v))) {
            return PyErr_ExceptionMatches(PyExc_TypeError) ? integer_type_error(c, v) : NULL;
        }
    }
    PyObject *text = format_int_percent(number, (c->flags & ALTERNATE) != 0, c->precision, c->type == 'i' || c->type == 'u' ? 'd' : (char)c->type);
    Py_DECREF(number);
    return text;
}

static PyObject *float_text(Percent *p, const Conversion *c, PyObject *v)
{
    double x = PyFloat_AsDouble(v);
    if (x == -1.0 && PyErr_Occurred()) {
        if (p->bytes && PyErr_ExceptionMatches(PyExc_TypeError))
            PyErr_Format(PyExc_TypeError, "float argument required, not %.200s", Py_TYPE(v)->tp_name);
        return NULL;
    }
    char *text = PyOS_double_to_string(x, (char)c->type, c->precision < 0 ? 6 : c->precision, c->flags & ALTERNATE ? Py_DTSF_ALT : 0, NULL);
    if (!text) return NULL;
    PyObject *s = str_from_ascii(text, (Py_ssize_t)strlen(text));
    PyMem_Free(text);
    return s;
}

static PyObject *char_text(PyObject *v)
{
    if (PyUnicode_Check(v)) {
        if (LENGTH(v) == 1) return str_from_char(PyUnicode_READ_CHAR(v, 0));
        PyErr_SetString(PyExc_TypeError, "%c requires int or char");
        return NULL;
    }
    PyObject *index = PyNumber_Index(v);
    if (!index) {
        if (PyErr_ExceptionMatches(PyExc_TypeError)) PyErr_SetString(PyExc_TypeError, "%c requires int or char");
        return NULL;
    }
    int overflow;
    long x = PyLong_AsLongAndOverflow(index, &overflow);
    Py_DECREF(index);
    if (overflow || x < 0 || x > UNICODE_MAX) {
        PyErr_SetString(PyExc_OverflowError, "%c arg not in range(0x110000)");
        return NULL;
    }
    return str_from_char((Py_UCS4)x);
}

static PyObject *byte_text(PyObject *v)
{
    if (PyBytes_Check(v) && PyBytes_GET_SIZE(v) == 1) return str_from_char((unsigned char)PyBytes_AS_STRING(v)[0]);
    if (PyByteArray_Check(v) && PyByteArray_GET_SIZE(v) == 1) return str_from_char((unsigned char)PyByteArray_AS_STRING(v)[0]);
    if (PyIndex_Check(v)) {
        int overflow;
        PyObject *index = PyNumber_Index(v);
        if (!index) return NULL;
        long x = PyLong_AsLongAndOverflow(index, &overflow);
        Py_DECREF(index);
        if (!overflow && x >= 0 && x < 256) return str_from_char((Py_UCS4)x);
        PyErr_SetString(PyExc_OverflowError, "%c arg not in range(256)");
        return NULL;
    }
    PyErr_SetString(PyExc_TypeError, "%c requires an integer in range(256) or a single byte");
    return NULL;
}

/* %b and %s of bytes: the bytes of a bytes-like object or of what __bytes__ gives, as Latin-1. */
static PyObject *bytes_text(PyObject *v)
{
    PyObject *made = NULL;
    View view;
    if (!PyBytes_Check(v) && !PyByteArray_Check(v)) {
        made = bytes_special(v);
        if (!made && PyErr_Occurred()) return NULL;
    }
    if (!made && !PyObject_CheckBuffer(v)) {
        PyErr_Format(PyExc_TypeError, "%%b requires a bytes-like object, or an object that implements __bytes__, not '%.100s'", Py_TYPE(v)->tp_name);
        return NULL;
    }
    PyObject *s = NULL;
    if (view_get(&view, made ? made : v) == 0) {
        s = str_from_latin1((const Py_UCS1 *)view.data, view.length);
        view_release(&view);
    }
    Py_XDECREF(made);
    return s;
}

static PyObject *unsupported(Percent *p, Py_UCS4 type)
{
    Py_ssize_t at = p->at - 1;
    if (p->bytes) PyErr_Format(PyExc_ValueError, "unsupported format character '%c' (0x%x) at index %zd", (int)(signed char)type, (int)(signed char)type, at);
    else PyErr_Format(PyExc_ValueError, "unsupported format character '%c' (0x%x) at index %zd", type > 31 && type < 127 ? (int)type : '?', (int)type, at);
    return NULL;
}

static PyObject *value_text(Percent *p, Conversion *c, PyObject *v)
{
    switch (c->type) {
        case 's': return p->bytes ? bytes_text(v) : PyObject_Str(v);
        case 'b': return p->bytes ? bytes_text(v) : unsupported(p, c->type);
        case 'r': return p->bytes ? PyObject_ASCII(v) : PyObject_Repr(v);
        case 'a': return PyObject_ASCII(v);
        case 'c': return p->bytes ? byte_text(v) : char_text(v);
        case 'i': if (p->bytes) c->type = 'd'; FALLTHROUGH;
        case 'd': case 'u': case 'o': case 'x': case 'X': c->has_sign = true; return integer_text(c, v);
        case 'e': case 'E': case 'f': case 'F': case 'g': case 'G': c->has_sign = true; return float_text(p, c, v);
        default: return unsupported(p, c->type);
    }
}

/* ---- writing -------------------------------------------------------------------------------------------------------------- */

static int write_fill(_PyUnicodeWriter *w, char c, Py_ssize_t n)
{
    if (n <= 0) return 0;
    if (_PyUnicodeWriter_Prepare(w, n, 127) < 0) return -1;
    chars_fill(w->kind, chars_at(w->kind, w->data, w->pos), (Py_UCS4)c, n);
    w->pos += n;
    return 0;
}

static int write_padded(Percent *p, const Conversion *c, PyObject *text)
{
    _PyUnicodeWriter *w = &p->w;
    Py_ssize_t n = LENGTH(text), start = 0, prefix = 0;
    char sign = 0;
    bool zero = c->has_sign && (c->flags & ZERO);
    if (!c->has_sign && c->type != 'c' && c->precision >= 0 && n > c->precision) n = c->precision;
    if (c->has_sign) {
        Py_UCS4 first = n ? PyUnicode_READ_CHAR(text, 0) : 0;
        if (first == '-' || first == '+') {
            sign = (char)first;
            start = 1;
        }
        else if (c->flags & SIGN) sign = '+';
        else if (c->flags & BLANK) sign = ' ';
        if ((c->flags & ALTERNATE) && (c->type == 'x' || c->type == 'X' || c->type == 'o')) prefix = 2;
    }
    Py_ssize_t fill = c->width - (n - start) - (sign != 0);
    if (!(c->flags & LEFT) && !zero && write_fill(w, ' ', fill) < 0) return -1;
    if (sign && _PyUnicodeWriter_WriteChar(w, (Py_UCS4)sign) < 0) return -1;
    if (prefix && _PyUnicodeWriter_WriteSubstring(w, text, start, start + prefix) < 0) return -1;
    if (!(c->flags & LEFT) && zero && write_fill(w, '0', fill) < 0) return -1;
    if (_PyUnicodeWriter_WriteSubstring(w, text, start + prefix, n) < 0) return -1;
    return c->flags & LEFT ? write_fill(w, ' ', fill) : 0;
}

static int write_conversion(Percent *p)
{
    Conversion c;
    Py_UCS4 next;
    if (peek(p, &next) && next == '%') {
        p->at++;
        return _PyUnicodeWriter_WriteChar(&p->w, '%');
    }
    if (parse_conversion(p, &c) < 0) return -1;
    PyObject *v = next_argument(p);
    if (!v) return -1;
    if (p->at == p->length && !p->bytes) p->w.overallocate = 0;
    PyObject *text = value_text(p, &c, v);
    if (!text) return -1;
    int status;
    if (c.width < 0 && !(c.flags & (SIGN | BLANK)) && (c.has_sign || c.type == 'c' || c.precision < 0)) status = _PyUnicodeWriter_WriteStr(&p->w, text);
    else status = write_padded(p, &c, text);
    Py_DECREF(text);
    return status;
}

static int write_all(Percent *p)
{
    while (p->at < p->length) {
        Py_ssize_t start = p->at, found = chars_find_char(p->kind, chars_at(p->kind, p->data, start), p->length - start, '%');
        Py_ssize_t n = found < 0 ? p->length - start : found;
        if (n) {
            const void *text = chars_at(p->kind, p->data, start);
            if (found < 0 && !p->bytes) p->w.overallocate = 0;
            if (p->format) {
                if (_PyUnicodeWriter_WriteSubstring(&p->w, p->format, start, start + n) < 0) return -1;
            }
            else {
                if (_PyUnicodeWriter_Prepare(&p->w, n, 0xff) < 0) return -1;
                memcpy((char *)p->w.data + p->w.pos, text, (size_t)n);
                p->w.pos += n;
            }
        }
        p->at = start + n;
        if (found < 0) break;
        p->at++;
        if (write_conversion(p) < 0) return -1;
    }
    if (p->arg_index < p->arg_count && !p->mapping)
        return raise_with(PyExc_TypeError, p->bytes ? "not all arguments converted during bytes formatting" : "not all arguments converted during string formatting");
    return 0;
}

static int percent_run(Percent *p, PyObject *args)
{
    p->args = args;
    if (PyTuple_Check(args)) p->arg_count = PyTuple_GET_SIZE(args);
    else {
        p->arg_count = -1;
        p->arg_index = -2;
    }
    bool text = p->bytes ? PyUnicode_Check(args) || PyBytes_Check(args) || PyByteArray_Check(args) : PyUnicode_Check(args);
    if (PyMapping_Check(args) && !PyTuple_Check(args) && !text) p->mapping = args;
    _PyUnicodeWriter_Init(&p->w);
    p->w.min_length = p->length + 100;
    p->w.overallocate = 1;
    if (p->bytes) p->w.min_char = 0xff;
    int status = write_all(p);
    if (p->owns_args) Py_DECREF(p->args);
    if (status < 0) _PyUnicodeWriter_Dealloc(&p->w);
    return status;
}

PyObject *str_percent(PyObject *format, PyObject *args)
{
    Percent p = { .format = format, .kind = KIND(format), .data = DATA(format), .length = LENGTH(format) };
    Py_INCREF(format);                                      /* an argument's method may drop the last reference */
    PyObject *result = percent_run(&p, args) < 0 ? NULL : _PyUnicodeWriter_Finish(&p.w);
    Py_DECREF(format);
    return result;
}

PyObject *bytes_percent(const char *format, Py_ssize_t n, PyObject *args, bool as_bytearray)
{
    Percent p = { .kind = 1, .data = format, .length = n, .bytes = true };
    if (percent_run(&p, args) < 0) return NULL;
    const char *data = p.w.pos ? p.w.data : "";
    PyObject *result = as_bytearray ? PyByteArray_FromStringAndSize(data, p.w.pos) : PyBytes_FromStringAndSize(data, p.w.pos);
    _PyUnicodeWriter_Dealloc(&p.w);
    return result;
}
