/* PyUnicode_FromFormat: C's printf for str.
 *
 *     %[-0#][width][.precision][l|ll|z|j|t]conversion     width and precision are digits or *
 *
 * Conversions: c d i u o x X s p %, and for objects U (str), V (str or else char *), S (str()), R (repr()), A (ascii()),
 * T (name of the type of), N (name of the type); #T and #N put ':' between module and name. */
#include "objects/unicode_private.h"

#include <stdarg.h>
#include <wchar.h>

typedef struct Arguments { va_list list; } Arguments;       /* a va_list that can be passed on by address everywhere */

typedef struct Spec {
    bool left, zero, alternate;
    Py_ssize_t width, precision;                            /* -1: not given */
    enum { LENGTH_NONE, LENGTH_LONG, LENGTH_LONG_LONG, LENGTH_SIZE, LENGTH_MAX, LENGTH_DIFF } length;
    char conversion;
} Spec;

static int write_fill(_PyUnicodeWriter *w, char c, Py_ssize_t n)
{
    if (n <= 0) return 0;
    if (_PyUnicodeWriter_Prepare(w, n, 127) < 0) return -1;
    chars_fill(w->kind, chars_at(w->kind, w->data, w->pos), (Py_UCS4)c, n);
    w->pos += n;
    return 0;
}

static int write_padded(_PyUnicodeWriter *w, PyObject *s, const Spec *spec)
{
    Py_ssize_t n = LENGTH(s);
    if (spec->precision >= 0 && n > spec->precision) n = spec->precision;
    Py_ssize_t fill = spec->width > n ? spec->width - n : 0;
    if (fill && !spec->left && write_fill(w, ' ', fill) < 0) return -1;
    if (_PyUnicodeWriter_WriteSubstring(w, s, 0, n) < 0) return -1;
    return fill && spec->left ? write_fill(w, ' ', fill) : 0;
}

static int write_owned(_PyUnicodeWriter *w, PyObject *s, const Spec *spec)
{
    if (!s) return -1;
    int status = write_padded(w, s, spec);
    Py_DECREF(s);
    return status;
}

/* A precision counts bytes; a character cut by it is left out, other wrong bytes are replaced. */
static int write_utf8(_PyUnicodeWriter *w, const char *text, Spec *spec)
{
    Py_ssize_t n, consumed;
    bool cut = false;
    if (spec->precision < 0) n = (Py_ssize_t)strlen(text);
    else {
        n = (Py_ssize_t)strnlen(text, (size_t)spec->precision);
        cut = n == spec->precision;
    }
    spec->precision = -1;
    if (spec->width < 0 && is_ascii_bytes(text, (size_t)n)) return _PyUnicodeWriter_WriteASCIIString(w, text, n);
    return write_owned(w, PyUnicode_DecodeUTF8Stateful(text, n, "replace", cut ? &consumed : NULL), spec);
}

static int write_wide(_PyUnicodeWriter *w, const wchar_t *text, Spec *spec)
{
    size_t n = spec->precision < 0 ? wcslen(text) : wcsnlen(text, (size_t)spec->precision);
    return write_owned(w, PyUnicode_FromWideChar(text, (Py_ssize_t)n), spec);
}

static int write_number(_PyUnicodeWriter *w, const Spec *spec, Arguments *args)
{
    char digits[64], *p = digits + sizeof digits;
    bool is_signed = spec->conversion == 'd' || spec->conversion == 'i', negative = false;
    unsigned long long value;
    long long s;
    switch (spec->length) {
        case LENGTH_LONG: s = va_arg(args->list, long); break;
        case LENGTH_LONG_LONG: s = va_arg(args->list, long long); break;
        case LENGTH_SIZE: s = va_arg(args->list, Py_ssize_t); break;
        case LENGTH_MAX: s = va_arg(args->list, intmax_t); break;
        case LENGTH_DIFF: s = va_arg(args->list, ptrdiff_t); break;
        default: s = va_arg(args->list, int); if (!is_signed) s = (long long)(unsigned int)s; break;
    }
    value = (unsigned long long)s;
    if (is_signed && s < 0) {
        negative = true;
        value = 0 - value;
    }
    unsigned base = spec->conversion == 'o' ? 8 : spec->conversion == 'x' || spec->conversion == 'X' ? 16 : 10;
    const char *symbols = spec->conversion == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
    do *--p = symbols[value % base]; while ((value /= base) != 0);
    Py_ssize_t n = digits + sizeof digits - p, precision = spec->precision > n ? spec->precision : n, width = spec->width;
    if (width < precision + negative) width = precision + negative;
    if (spec->zero && !spec->left) precision = width - negative;
    Py_ssize_t spaces = width - precision - negative;
    if (!spec->left && write_fill(w, ' ', spaces) < 0) return -1;
    if (negative && _PyUnicodeWriter_WriteChar(w, '-') < 0) return -1;
    if (write_fill(w, '0', precision - n) < 0) return -1;
    if (_PyUnicodeWriter_WriteASCIIString(w, p, n) < 0) return -1;
    return spec->left ? write_fill(w, ' ', spaces) : 0;
}

static PyObject *type_name(PyTypeObject *type, bool colon)
{
    if (!colon) return PyType_GetFullyQualifiedName(type);
    PyObject *module = PyType_GetModuleName(type), *name = module ? PyType_GetQualName(type) : NULL, *result = NULL;
    if (name && PyUnicode_Check(module) && !str_equal_ascii(module, "builtins") && !str_equal_ascii(module, "__main__"))
        result = PyUnicode_FromFormat("%U:%U", module, name);
    else if (name) result = Py_NewRef(name);
    Py_XDECREF(module);
    Py_XDECREF(name);
    return result;
}

static int write_pointer(_PyUnicodeWriter *w, void *p)
{
    char text[32];
    int n = snprintf(text, sizeof text, "0x%llx", (unsigned long long)(uintptr_t)p);
    return _PyUnicodeWriter_WriteASCIIString(w, text, n);
}

static int write_char(_PyUnicodeWriter *w, int ordinal)
{
    if (ordinal < 0 || ordinal > UNICODE_MAX) {
        PyErr_SetString(PyExc_OverflowError, "character argument not in range(0x110000)");
        return -1;
    }
    return _PyUnicodeWriter_WriteChar(w, (Py_UCS4)ordinal);
}

static int write_argument(_PyUnicodeWriter *w, const char *start, Spec *spec, Arguments *args)
{
    bool sized = spec->length != LENGTH_NONE, valid = true;
    switch (spec->conversion) {
        case 'd': case 'i': case 'u': case 'o': case 'x': case 'X': break;
        case 'c': case 'p': valid = !sized && spec->width < 0 && spec->precision < 0; break;
        case 's': case 'V': valid = !sized || spec->length == LENGTH_LONG; break;
        default: valid = !sized; break;
    }
    if (!valid) {
        PyErr_Format(PyExc_SystemError, "invalid format string: %s", start);
        return -1;
    }
    switch (spec->conversion) {
        case 'c': return write_char(w, va_arg(args->list, int));
        case 'd': case 'i': case 'u': case 'o': case 'x': case 'X': return write_number(w, spec, args);
        case 's':
            if (spec->length == LENGTH_LONG) return write_wide(w, va_arg(args->list, const wchar_t *), spec);
            return write_utf8(w, va_arg(args->list, const char *), spec);
        case 'p': return write_pointer(w, va_arg(args->list, void *));
        case 'U': return write_padded(w, va_arg(args->list, PyObject *), spec);
        case 'V': {
            PyObject *s = va_arg(args->list, PyObject *);
            const void *text = va_arg(args->list, const void *);
            if (s) return write_padded(w, s, spec);
            return spec->length == LENGTH_LONG ? write_wide(w, text, spec) : write_utf8(w, text, spec);
        }
        case 'S': return write_owned(w, PyObject_Str(va_arg(args->list, PyObject *)), spec);
        case 'R': return write_owned(w, PyObject_Repr(va_arg(args->list, PyObject *)), spec);
        case 'A': return write_owned(w, PyObject_ASCII(va_arg(args->list, PyObject *)), spec);
        case 'T': return write_owned(w, type_name(Py_TYPE(va_arg(args->list, PyObject *)), spec->alternate), spec);
        case 'N': {
            PyObject *type = va_arg(args->list, PyObject *);
            if (PyType_Check(type)) return write_owned(w, type_name((PyTypeObject *)type, spec->alternate), spec);
            PyErr_SetString(PyExc_TypeError, "%N argument must be a type");
            return -1;
        }
        case '%':
            if (start[1] == '%') return _PyUnicodeWriter_WriteChar(w, '%');
            FALLTHROUGH;
        default:
            PyErr_Format(PyExc_SystemError, "invalid format string: %s", start);
            return -1;
    }
}

/* Digits or '*'. -1 with ValueError when the number is too big. */
static int parse_count(const char **p, Arguments *args, const char *what, Py_ssize_t *count, bool *negative)
{
    if (**p == '*') {
        int given = va_arg(args->list, int);
        (*p)++;
        *negative = given < 0;
        *count = given < 0 ? -(Py_ssize_t)given : given;
        return 0;
    }
    Py_ssize_t n = 0;
    for (; **p >= '0' && **p <= '9'; (*p)++) {
        int digit = **p - '0';
        if (n > (PY_SSIZE_T_MAX - digit) / 10) {
            PyErr_Format(PyExc_ValueError, "%s too big", what);
            return -1;
        }
        n = n * 10 + digit;
    }
    *count = n;
    return 0;
}

/* f is behind the '%'. Returns what follows the conversion, or NULL. */
static const char *write_conversion(_PyUnicodeWriter *w, const char *f, Arguments *args)
{
    const char *start = f - 1;
    Spec spec = { .width = -1, .precision = -1 };
    for (;; f++) {
        if (*f == '-') spec.left = true;
        else if (*f == '0') spec.zero = true;
        else if (*f == '#') spec.alternate = true;
        else break;
    }
    bool negative = false;
    if (*f == '*' || (*f >= '1' && *f <= '9')) {
        if (parse_count(&f, args, "width", &spec.width, &negative) < 0) return NULL;
        if (negative) spec.left = true;
    }
    if (*f == '.') {
        f++;
        negative = false;
        if (parse_count(&f, args, "precision", &spec.precision, &negative) < 0) return NULL;
        if (negative) spec.precision = -2;
    }
    switch (*f) {
        case 'l':
            f++;
            spec.length = LENGTH_LONG;
            if (*f == 'l') {
                f++;
                spec.length = LENGTH_LONG_LONG;
            }
            break;
        case 'z': f++; spec.length = LENGTH_SIZE; break;
        case 'j': f++; spec.length = LENGTH_MAX; break;
        case 't': f++; spec.length = LENGTH_DIFF; break;
        default: break;
    }
    spec.conversion = *f;
    if (*f) f++;
    if (*f == 0) w->overallocate = 0;                       /* this is the last piece */
    return write_argument(w, start, &spec, args) < 0 ? NULL : f;
}

PyObject *PyUnicode_FromFormatV(const char *format, va_list list)
{
    Arguments args;
    _PyUnicodeWriter w;
    _PyUnicodeWriter_Init(&w);
    w.min_length = (Py_ssize_t)strlen(format) + 100;
    w.overallocate = 1;
    va_copy(args.list, list);
    for (const char *f = format; *f;) {
        if (*f == '%') {
            if (!(f = write_conversion(&w, f + 1, &args))) goto failed;
            continue;
        }
        const char *start = f;
        for (; *f && *f != '%'; f++) {
            if ((unsigned char)*f < 128) continue;
            PyErr_Format(PyExc_ValueError, "PyUnicode_FromFormatV() expects an ASCII-encoded format string, got a non-ASCII byte: 0x%02x",
                         (unsigned char)*f);
            goto failed;
        }
        if (*f == 0) w.overallocate = 0;
        if (_PyUnicodeWriter_WriteASCIIString(&w, start, f - start) < 0) goto failed;
    }
    va_end(args.list);
    return _PyUnicodeWriter_Finish(&w);
failed:
    va_end(args.list);
    _PyUnicodeWriter_Dealloc(&w);
    return NULL;
}

PyObject *PyUnicode_FromFormat(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    PyObject *s = PyUnicode_FromFormatV(format, args);
    va_end(args);
    return s;
}
