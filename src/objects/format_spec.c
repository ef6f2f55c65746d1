/* format(value, spec) for str, int, float and complex.
 *
 * A number's text is laid out as  left fill, sign, prefix, inner fill, digits (grouped), decimal point, rest, right fill.  The
 * widths are computed first, so that the result is allocated once. */
#include "objects/format.h"
#include "objects/long.h"
#include "objects/unicode_private.h"

#include <langinfo.h>
#include <limits.h>
#include <locale.h>

typedef enum Grouping { GROUP_NONE, GROUP_COMMA, GROUP_UNDERSCORE, GROUP_UNDERSCORE_4, GROUP_LOCALE } Grouping;

typedef struct Spec {
    Py_UCS4 fill, align, sign, type;                        /* sign 0: none given; type 0: none given, unless the caller has a default */
    bool alternate, no_negative_zero, fill_given;
    Grouping grouping;
    Py_ssize_t width, precision;                            /* -1: not given */
} Spec;

/* ---- parsing -------------------------------------------------------------------------------------------------------- */

static bool is_align(Py_UCS4 c) { return c == '<' || c == '>' || c == '=' || c == '^'; }

/* Number of digits read, -1 with ValueError. */
static Py_ssize_t parse_integer(PyObject *spec, Py_ssize_t *at, Py_ssize_t *value)
{
    Py_ssize_t n = 0, digits = 0;
    for (; *at < LENGTH(spec); (*at)++, digits++) {
        int digit = _PyUnicode_ToDecimalDigit(PyUnicode_READ_CHAR(spec, *at));
        if (digit < 0) break;
        if (n > (PY_SSIZE_T_MAX - digit) / 10) {
            PyErr_SetString(PyExc_ValueError, "Too many decimal digits in format string");
            return -1;
        }
        n = n * 10 + digit;
    }
    *value = n;
    return digits;
}

static int both_separators(void)
{
    PyErr_SetString(PyExc_ValueError, "Cannot specify both ',' and '_'.");
    return -1;
}

static int check_grouping(Spec *f)
{
    switch (f->type) {
        case 'd': case 'e': case 'f': case 'g': case 'E': case 'G': case '%': case 'F': case 0: return 0;
        case 'b': case 'o': case 'x': case 'X':
            if (f->grouping == GROUP_UNDERSCORE) {
                f->grouping = GROUP_UNDERSCORE_4;
                return 0;
            }
            FALLTHROUGH;
        default: break;
    }
    char separator = f->grouping == GROUP_COMMA ? ',' : '_';
    if (f->type > 32 && f->type < 128) PyErr_Format(PyExc_ValueError, "Cannot specify '%c' with '%c'.", separator, (int)f->type);
    else PyErr_Format(PyExc_ValueError, "Cannot specify '%c' with '\\x%x'.", separator, (unsigned)f->type);
    return -1;
}

static int parse_spec(PyObject *value, PyObject *spec, Spec *f, Py_UCS4 default_type, Py_UCS4 default_align)
{
    Py_ssize_t at = 0, end = LENGTH(spec);
    int kind = KIND(spec);
    const void *data = DATA(spec);
#define PEEK(i) (at + (i) < end ? PyUnicode_READ(kind, data, at + (i)) : 0)
    bool align_given = false;
    *f = (Spec){ .fill = ' ', .align = default_align, .type = default_type, .width = -1, .precision = -1 };
    if (end >= 2 && is_align(PEEK(1))) {
        f->align = PEEK(1);
        f->fill = PEEK(0);
        f->fill_given = align_given = true;
        at += 2;
    }
    else if (end >= 1 && is_align(PEEK(0))) {
        f->align = PEEK(0);
        align_given = true;
        at++;
    }
    if (PEEK(0) == '+' || PEEK(0) == '-' || PEEK(0) == ' ') {
        f->sign = PEEK(0);
        at++;
    }
    if (PEEK(0) == 'z') {
        f->no_negative_zero = true;
        at++;
    }
    if (PEEK(0) == '#') {
        f->alternate = true;
        at++;
    }
    if (!f->fill_given && PEEK(0) == '0') {
        f->fill = '0';
        if (!align_given && default_align == '>') f->align = '=';
        at++;
    }
    Py_ssize_t n, digits = parse_integer(spec, &at, &n);
    if (digits < 0) return -1;
    if (digits) f->width = n;
    if (PEEK(0) == ',') {
        f->grouping = GROUP_COMMA;
        at++;
    }
    if (PEEK(0) == '_') {
        if (f->grouping != GROUP_NONE) return both_separators();
        f->grouping = GROUP_UNDERSCORE;
        at++;
    }
    if (PEEK(0) == ',' && f->grouping == GROUP_UNDERSCORE) return both_separators();
    if (PEEK(0) == '.') {
        at++;
        if ((digits = parse_integer(spec, &at, &n)) < 0) return -1;
        if (!digits) {
            PyErr_SetString(PyExc_ValueError, "Format specifier missing precision");
            return -1;
        }
        f->precision = n;
    }
    if (end - at > 1) {
        PyErr_Format(PyExc_ValueError, "Invalid format specifier '%U' for object of type '%.200s'", spec, Py_TYPE(value)->tp_name);
        return -1;
    }
    if (end - at == 1) f->type = PEEK(0);
#undef PEEK
    return f->grouping == GROUP_NONE ? 0 : check_grouping(f);
}

static PyObject *unknown_type(PyObject *value, Py_UCS4 type)
{
    if (type > 32 && type < 128)
        PyErr_Format(PyExc_ValueError, "Unknown format code '%c' for object of type '%.200s'", (int)type, Py_TYPE(value)->tp_name);
    else
        PyErr_Format(PyExc_ValueError, "Unknown format code '\\x%x' for object of type '%.200s'", (unsigned)type, Py_TYPE(value)->tp_name);
    return NULL;
}

static PyObject *refuse(const char *text)
{
    PyErr_SetString(PyExc_ValueError, text);
    return NULL;
}

static Py_ssize_t left_fill(Py_UCS4 align, Py_ssize_t fill) { return align == '>' ? fill : align == '^' ? fill / 2 : 0; }

/* ---- str ------------------------------------------------------------------------------------------------------------- */

PyObject *format_str(PyObject *value, PyObject *spec)
{
    Spec f;
    if (LENGTH(spec) == 0) return PyUnicode_CheckExact(value) ? Py_NewRef(value) : PyObject_Str(value);
    if (parse_spec(value, spec, &f, 's', '<') < 0) return NULL;
    if (f.type != 's') return unknown_type(value, f.type);
    if (f.sign) return refuse(f.sign == ' ' ? "Space not allowed in string format specifier" : "Sign not allowed in string format specifier");
    if (f.no_negative_zero) return refuse("Negative zero coercion (z) not allowed in string format specifier");
    if (f.alternate) return refuse("Alternate form (#) not allowed in string format specifier");
    if (f.align == '=') return refuse("'=' alignment not allowed in string format specifier");
    Py_ssize_t n = LENGTH(value);
    if (f.precision >= 0 && n > f.precision) n = f.precision;
    if (f.width <= n) return str_substring(value, 0, n);
    Py_UCS4 max = PyUnicode_MAX_CHAR_VALUE(value);
    if (n < LENGTH(value)) max = n ? chars_max(KIND(value), DATA(value), n) : 0;
    PyObject *result = PyUnicode_New(f.width, max > f.fill ? max : f.fill);
    if (!result) return NULL;
    Py_ssize_t left = left_fill(f.align, f.width - n);
    int kind = KIND(result);
    void *data = DATA(result);
    chars_fill(kind, data, f.fill, left);
    str_copy(result, left, value, 0, n);
    chars_fill(kind, chars_at(kind, data, left + n), f.fill, f.width - n - left);
    return f.width == 1 ? str_finish(result, 1) : result;
}

/* ---- layout of numbers ---------------------------------------------------------------------------------------------- */

typedef struct Punctuation {
    PyObject *point, *separator;                            /* owned */
    const char *groups;                                     /* sizes from the right; 0 repeats the last, CHAR_MAX ends */
    char *owned_groups;
} Punctuation;

static int get_punctuation(Grouping grouping, Punctuation *p)
{
    memset(p, 0, sizeof *p);
    if (grouping == GROUP_LOCALE) {
        struct lconv *l = localeconv();
        if (!(p->owned_groups = PyMem_Malloc(strlen(l->grouping) + 1))) {
            PyErr_NoMemory();
            return -1;
        }
        p->groups = strcpy(p->owned_groups, l->grouping);
        p->point = PyUnicode_DecodeLocale(l->decimal_point, NULL);
        p->separator = PyUnicode_DecodeLocale(l->thousands_sep, NULL);
        return p->point && p->separator ? 0 : -1;
    }
    p->point = latin1_char('.');
    p->separator = grouping == GROUP_NONE ? EMPTY_STR : latin1_char(grouping == GROUP_COMMA ? ',' : '_');
    p->groups = grouping == GROUP_NONE ? "\177" : grouping == GROUP_UNDERSCORE_4 ? "\4" : "\3";
    return 0;
}

static void release_punctuation(Punctuation *p)
{
    Py_CLEAR(p->point);
    Py_CLEAR(p->separator);
    PyMem_Free(p->owned_groups);
    p->owned_groups = NULL;
}

_Static_assert(CHAR_MAX == 127 || CHAR_MAX == 255, "");

/* Digits with separators between groups, at least min_width characters with zeros in front. Writes from the end of out
 * backwards when it is not NULL; returns how many characters there are. */
static Py_ssize_t group_digits(const char *digits, Py_ssize_t n, Py_ssize_t min_width, const Punctuation *p, int kind, void *data, Py_ssize_t end)
{
    Py_ssize_t count = 0, separator = LENGTH(p->separator), left = n;
    const char *group = p->groups;
    int size = 0;
    bool first = true, last = false;
    while (!last) {
        if (*group == CHAR_MAX || *group == 127) last = true;
        else if (*group) size = *group++;
        if (size == 0) last = true;                         /* no grouping at all */
        Py_ssize_t need = left > min_width ? left : min_width, length = last || size > need ? need : size;
        if (length < 1) length = 1;
        Py_ssize_t from_digits = left < length ? left : length, zeros = length - from_digits;
        if (!first) {
            count += separator;
            if (data) {
                for (Py_ssize_t i = 0; i < separator; i++) PyUnicode_WRITE(kind, data, end - count + i, PyUnicode_READ_CHAR(p->separator, i));
            }
        }
        first = false;
        count += length;
        left -= from_digits;
        if (data) {
            for (Py_ssize_t i = 0; i < zeros; i++) PyUnicode_WRITE(kind, data, end - count + i, '0');
            for (Py_ssize_t i = 0; i < from_digits; i++) PyUnicode_WRITE(kind, data, end - count + zeros + i, digits[left + i]);
        }
        min_width -= length;
        if (left <= 0 && min_width <= 0) break;
        min_width -= separator;
    }
    return count;
}

typedef struct Number {
    const char *prefix;                                     /* "0x" or "" */
    const char *digits;                                     /* ASCII */
    Py_ssize_t digit_count;
    bool point;
    const char *rest;                                       /* behind the point: decimals, exponent, "inf", "%" */
    Py_ssize_t rest_count;
    bool negative;
    /* computed */
    char sign;
    Py_ssize_t left, inner, right, grouped, min_width, total;
} Number;

static void layout(Number *n, const Spec *f, const Punctuation *p)
{
    n->sign = n->negative ? '-' : f->sign == '+' ? '+' : f->sign == ' ' ? ' ' : 0;
    Py_ssize_t others = (n->sign != 0) + (Py_ssize_t)strlen(n->prefix) + (n->point ? LENGTH(p->point) : 0) + n->rest_count;
    n->min_width = f->fill == '0' && f->align == '=' ? f->width - others : 0;
    n->grouped = n->digit_count == 0 ? 0 : group_digits(n->digits, n->digit_count, n->min_width, p, 0, NULL, 0);
    Py_ssize_t fill = f->width - others - n->grouped;
    if (fill < 0) fill = 0;
    n->left = left_fill(f->align, fill);
    n->inner = f->align == '=' ? fill : 0;
    n->right = fill - n->left - n->inner;
    n->total = others + n->grouped + fill;
}

static Py_UCS4 layout_max(const Number *n, const Spec *f, const Punctuation *p)
{
    Py_UCS4 max = 127;
    if (n->left + n->inner + n->right && f->fill > max) max = f->fill;
    if (n->point && PyUnicode_MAX_CHAR_VALUE(p->point) > max) max = PyUnicode_MAX_CHAR_VALUE(p->point);
    if (PyUnicode_MAX_CHAR_VALUE(p->separator) > max && n->grouped != n->digit_count) max = PyUnicode_MAX_CHAR_VALUE(p->separator);
    return max;
}

static Py_ssize_t put_ascii(int kind, void *data, Py_ssize_t at, const char *text, Py_ssize_t n)
{
    chars_convert(1, text, kind, chars_at(kind, data, at), n);
    return at + n;
}

static Py_ssize_t put_fill(int kind, void *data, Py_ssize_t at, Py_UCS4 fill, Py_ssize_t n)
{
    chars_fill(kind, chars_at(kind, data, at), fill, n);
    return at + n;
}

/* Writes the number at position at of s, whose kind is wide enough; returns the position behind it. */
static Py_ssize_t put_number(PyObject *s, Py_ssize_t at, const Number *n, const Spec *f, const Punctuation *p)
{
    int kind = KIND(s);
    void *data = DATA(s);
    at = put_fill(kind, data, at, f->fill, n->left);
    if (n->sign) at = put_ascii(kind, data, at, &n->sign, 1);
    at = put_ascii(kind, data, at, n->prefix, (Py_ssize_t)strlen(n->prefix));
    at = put_fill(kind, data, at, f->fill, n->inner);
    if (n->grouped) {
        if (n->grouped == n->digit_count) put_ascii(kind, data, at, n->digits, n->digit_count);
        else group_digits(n->digits, n->digit_count, n->min_width, p, kind, data, at + n->grouped);
        at += n->grouped;
    }
    if (n->point) {
        str_copy(s, at, p->point, 0, LENGTH(p->point));
        at += LENGTH(p->point);
    }
    at = put_ascii(kind, data, at, n->rest, n->rest_count);
    return put_fill(kind, data, at, f->fill, n->right);
}

static PyObject *number_text(Number *n, const Spec *f)
{
    Punctuation p;
    PyObject *result = NULL;
    if (get_punctuation(f->grouping, &p) == 0) {
        layout(n, f, &p);
        if (n->total == 1 && n->digit_count == 1) result = latin1_char((unsigned char)n->digits[0]);
        else if ((result = PyUnicode_New(n->total, layout_max(n, f, &p)))) {
            put_number(result, 0, n, f, &p);
            if (!PyUnicode_IS_ASCII(result)) result = str_finish(result, n->total);
        }
    }
    release_punctuation(&p);
    return result;
}

/* ---- int --------------------------------------------------------------------------------------------------------------- */

static PyObject *format_char(PyObject *value, Spec *f)
{
    if (f->sign) return refuse("Sign not allowed with integer format specifier 'c'");
    if (f->alternate) return refuse("Alternate form (#) not allowed with integer format specifier 'c'");
    int overflow;
    long c = PyLong_AsLongAndOverflow(value, &overflow);
    if (overflow) {
        PyErr_SetString(PyExc_OverflowError, "Python int too large to convert to C long");
        return NULL;
    }
    if (c < 0 || c > UNICODE_MAX) {
        PyErr_SetString(PyExc_OverflowError, "%c arg not in range(0x110000)");
        return NULL;
    }
    if (f->width <= 1) return str_from_char((Py_UCS4)c);
    PyObject *result = PyUnicode_New(f->width, (Py_UCS4)c > f->fill ? (Py_UCS4)c : f->fill);
    if (!result) return NULL;
    /* '=' puts the fill in front, as for numbers */
    Py_ssize_t fill = f->width - 1, left = f->align == '=' ? fill : left_fill(f->align, fill);
    chars_fill(KIND(result), DATA(result), f->fill, f->width);
    PyUnicode_WRITE(KIND(result), DATA(result), left, (Py_UCS4)c);
    return result;
}

static PyObject *format_int_spec(PyObject *value, Spec *f)
{
    if (f->precision >= 0) return refuse("Precision not allowed in integer format specifier");
    if (f->no_negative_zero) return refuse("Negative zero coercion (z) not allowed in integer format specifier");
    if (f->type == 'c') return format_char(value, f);
    int base = f->type == 'b' ? 2 : f->type == 'o' ? 8 : f->type == 'x' || f->type == 'X' ? 16 : 10;
    if (f->type == 'n') f->grouping = GROUP_LOCALE;
    PyObject *text = long_to_text(value, base, false);
    if (!text) return NULL;
    if (f->type == 'X') {
        PyObject *upper = PyUnicode_New(LENGTH(text), 127);
        if (upper) for (Py_ssize_t i = 0; i < LENGTH(text); i++) ((char *)DATA(upper))[i] = (char)Py_TOUPPER(((const char *)DATA(text))[i]);
        Py_SETREF(text, upper);
        if (!text) return NULL;
    }
    const char *digits = DATA(text);
    bool negative = *digits == '-';
    char prefix[3] = { 0, (char)f->type, 0 };
    if (f->alternate && base != 10) prefix[0] = '0';
    Number n = { .prefix = prefix, .digits = digits + negative, .digit_count = LENGTH(text) - negative, .rest = "", .negative = negative };
    PyObject *result = number_text(&n, f);
    Py_DECREF(text);
    return result;
}

PyObject *format_int(PyObject *value, PyObject *spec)
{
    Spec f;
    if (LENGTH(spec) == 0) return PyLong_CheckExact(value) ? long_to_text(value, 10, false) : PyObject_Str(value);
    if (parse_spec(value, spec, &f, 'd', '>') < 0) return NULL;
    switch (f.type) {
        case 'b': case 'c': case 'd': case 'o': case 'x': case 'X': case 'n': return format_int_spec(value, &f);
        case 'e': case 'E': case 'f': case 'F': case 'g': case 'G': case '%': {
            PyObject *real = PyNumber_Float(value), *result = real ? format_float(real, spec) : NULL;
            Py_XDECREF(real);
            return result;
        }
        default: return unknown_type(value, f.type);
    }
}

PyObject *format_int_percent(PyObject *value, bool alternate, int precision, char type)
{
    int base = type == 'o' ? 8 : type == 'x' || type == 'X' ? 16 : 10;
    PyObject *text = long_to_text(value, base, alternate && base != 10);
    if (!text || (precision <= 0 && type != 'X')) return text;
    const char *p = DATA(text);
    Py_ssize_t head = (*p == '-') + (alternate && base != 10 ? 2 : 0), digits = LENGTH(text) - head;
    if (precision > INT_MAX - 3) {
        Py_DECREF(text);
        return refuse("precision too large");
    }
    Py_ssize_t zeros = precision > digits ? precision - digits : 0;
    PyObject *result = PyUnicode_New(head + zeros + digits, 127);
    if (result) {
        char *out = DATA(result);
        memcpy(out, p, (size_t)head);
        memset(out + head, '0', (size_t)zeros);
        memcpy(out + head + zeros, p + head, (size_t)digits);
        if (type == 'X') for (Py_ssize_t i = 0; i < LENGTH(result); i++) out[i] = (char)Py_TOUPPER(out[i]);
    }
    Py_DECREF(text);
    return result;
}

/* ---- float and complex ------------------------------------------------------------------------------------------------ */

/* Splits the text of a float, sign first, into the parts of n. */
static void split_float(const char *text, Py_ssize_t length, Number *n)
{
    n->prefix = "";
    n->negative = *text == '-';
    const char *p = text + n->negative, *end = text + length;
    n->digits = p;
    while (p < end && Py_ISDIGIT(*p)) p++;
    n->digit_count = p - n->digits;
    n->point = p < end && *p == '.';
    if (n->point) p++;
    n->rest = p;
    n->rest_count = end - p;
}

/* What a float's type and precision mean for PyOS_double_to_string. */
typedef struct FloatStyle { char type; int precision, flags; bool percent; } FloatStyle;

static int float_style(Spec *f, FloatStyle *style)
{
    if (f->precision > INT_MAX) {
        PyErr_SetString(PyExc_ValueError, "precision too big");
        return -1;
    }
    int precision = (int)f->precision;
    style->flags = (f->alternate ? Py_DTSF_ALT : 0) | (f->no_negative_zero ? Py_DTSF_NO_NEG_0 : 0);
    style->percent = false;
    style->type = (char)f->type;
    if (f->type == 0) style->type = 'r';
    else if (f->type == 'n') {
        style->type = 'g';
        f->grouping = GROUP_LOCALE;
    }
    else if (f->type == '%') {
        style->type = 'f';
        style->percent = true;
    }
    if (precision < 0) precision = style->type == 'r' ? 0 : 6;
    else if (style->type == 'r') style->type = 'g';
    style->precision = precision;
    return 0;
}

static bool is_float_type(Py_UCS4 type)
{
    switch (type) {
        case 0: case 'e': case 'E': case 'f': case 'F': case 'g': case 'G': case 'n': return true;
        default: return false;
    }
}

PyObject *format_float(PyObject *value, PyObject *spec)
{
    Spec f;
    FloatStyle style;
    if (LENGTH(spec) == 0) return PyObject_Str(value);
    if (parse_spec(value, spec, &f, 0, '>') < 0) return NULL;
    if (!is_float_type(f.type) && f.type != '%') return unknown_type(value, f.type);
    if (float_style(&f, &style) < 0) return NULL;
    double v = PyFloat_AsDouble(value);
    if (v == -1.0 && PyErr_Occurred()) return NULL;
    if (style.percent) v *= 100;
    char *text = PyOS_double_to_string(v, style.type, style.precision, style.flags | (f.type == 0 ? Py_DTSF_ADD_DOT_0 : 0), NULL);
    if (!text) return NULL;
    size_t length = strlen(text);
    if (style.percent) text[length++] = '%';                /* in the place of the terminator */
    Number n = { 0 };
    split_float(text, (Py_ssize_t)length, &n);
    PyObject *result = number_text(&n, &f);
    PyMem_Free(text);
    return result;
}

static PyObject *complex_text(Number *re, Number *im, bool skip_re, bool parens, const Spec *f)
{
    Punctuation p;
    Spec part = *f;
    PyObject *result = NULL;
    part.fill = ' ';
    part.align = '<';
    part.width = -1;
    if (get_punctuation(f->grouping, &p) < 0) goto done;
    if (skip_re) re->total = 0;
    else layout(re, &part, &p);
    Spec im_part = part;
    if (!skip_re) im_part.sign = '+';
    layout(im, &im_part, &p);
    Py_ssize_t n = re->total + im->total + 1 + (parens ? 2 : 0), fill = f->width > n ? f->width - n : 0, left = left_fill(f->align, fill);
    Py_UCS4 max = layout_max(im, &part, &p), max_re = layout_max(re, &part, &p);
    if (max_re > max) max = max_re;
    if (fill && f->fill > max) max = f->fill;
    if (!(result = PyUnicode_New(n + fill, max))) goto done;
    int kind = KIND(result);
    void *data = DATA(result);
    Py_ssize_t at = put_fill(kind, data, 0, f->fill, left);
    if (parens) at = put_ascii(kind, data, at, "(", 1);
    if (!skip_re) at = put_number(result, at, re, &part, &p);
    at = put_number(result, at, im, &im_part, &p);
    at = put_ascii(kind, data, at, "j", 1);
    if (parens) at = put_ascii(kind, data, at, ")", 1);
    put_fill(kind, data, at, f->fill, fill - left);
    if (!PyUnicode_IS_ASCII(result)) result = str_finish(result, LENGTH(result));
done:
    release_punctuation(&p);
    return result;
}

PyObject *format_complex(PyObject *value, PyObject *spec)
{
    Spec f;
    FloatStyle style;
    if (LENGTH(spec) == 0) return PyObject_Str(value);
    if (parse_spec(value, spec, &f, 0, '>') < 0) return NULL;
    if (!is_float_type(f.type)) return unknown_type(value, f.type);
    if (f.fill == '0') return refuse("Zero padding is not allowed in complex format specifier");
    if (f.align == '=') return refuse("'=' alignment flag is not allowed in complex format specifier");
    Py_complex c = PyComplex_AsCComplex(value);
    if (c.real == -1.0 && PyErr_Occurred()) return NULL;
    if (float_style(&f, &style) < 0) return NULL;
    bool skip_re = f.type == 0 && c.real == 0.0 && !__builtin_signbit(c.real), parens = f.type == 0 && !skip_re;
    char *re = PyOS_double_to_string(c.real, style.type, style.precision, style.flags, NULL);
    char *im = re ? PyOS_double_to_string(c.imag, style.type, style.precision, style.flags, NULL) : NULL;
    PyObject *result = NULL;
    if (im) {
        Number n_re = { 0 }, n_im = { 0 };
        split_float(re, (Py_ssize_t)strlen(re), &n_re);
        split_float(im, (Py_ssize_t)strlen(im), &n_im);
        result = complex_text(&n_re, &n_im, skip_re, parens, &f);
    }
    PyMem_Free(re);
    PyMem_Free(im);
    return result;
}
