/* str.format(): the little language of {field!conversion:spec}, and what string.Formatter needs of it (_string).
 *
 * A format string is read as literal text followed by at most one field. A field name is a first part (a number, a keyword or
 * nothing) and a rest of .attribute and [item]; a spec may contain fields itself, one level deep. */
#include "objects/format.h"
#include "objects/unicode_private.h"

#include "capi/args.h"

typedef struct Span { PyObject *s; Py_ssize_t start, end; } Span;   /* s borrowed */

static bool span_empty(const Span *p) { return p->start >= p->end; }
static Py_UCS4 span_at(const Span *p, Py_ssize_t i) { return PyUnicode_READ_CHAR(p->s, i); }
static PyObject *span_text(const Span *p) { return str_substring(p->s, p->start, p->end); }

static int fail(const char *text)
{
    PyErr_SetString(PyExc_ValueError, text);
    return -1;
}

/* The number that p spells, or -1; -2 with ValueError. */
static Py_ssize_t span_integer(const Span *p)
{
    Py_ssize_t n = 0;
    if (span_empty(p)) return -1;
    for (Py_ssize_t i = p->start; i < p->end; i++) {
        int digit = _PyUnicode_ToDecimalDigit(span_at(p, i));
        if (digit < 0) return -1;
        if (n > (PY_SSIZE_T_MAX - digit) / 10) {
            fail("Too many decimal digits in format string");
            return -2;
        }
        n = n * 10 + digit;
    }
    return n;
}

/* ---- field names ------------------------------------------------------------------------------------------------------ */

typedef enum Numbering { NUMBERING_OPEN, NUMBERING_AUTOMATIC, NUMBERING_MANUAL } Numbering;
typedef struct AutoNumber { Numbering state; Py_ssize_t next; } AutoNumber;

/* Splits name. *index: the number of the first part, or -1 when it is a keyword. */
static int split_name(const Span *name, Span *first, Span *rest, Py_ssize_t *index, AutoNumber *numbering)
{
    Py_ssize_t i = name->start;
    while (i < name->end && span_at(name, i) != '.' && span_at(name, i) != '[') i++;
    *first = (Span){ name->s, name->start, i };
    *rest = (Span){ name->s, i, name->end };
    if ((*index = span_integer(first)) == -2) return -1;
    bool empty = span_empty(first);
    if (!numbering || (!empty && *index == -1)) return 0;
    if (numbering->state == NUMBERING_OPEN) numbering->state = empty ? NUMBERING_AUTOMATIC : NUMBERING_MANUAL;
    if (numbering->state == NUMBERING_MANUAL && empty) return fail("cannot switch from manual field specification to automatic field numbering");
    if (numbering->state == NUMBERING_AUTOMATIC && !empty) return fail("cannot switch from automatic field numbering to manual field specification");
    if (empty) *index = numbering->next++;
    return 0;
}

/* The next .attribute or [item] of rest: 1, 0 at the end, -1 with ValueError. *index -1: by name. */
static int next_part(Span *rest, bool *is_attribute, Py_ssize_t *index, Span *name)
{
    if (span_empty(rest)) return 0;
    Py_UCS4 c = span_at(rest, rest->start++);
    *name = (Span){ rest->s, rest->start, rest->start };
    *index = -1;
    if (c == '.') {
        *is_attribute = true;
        while (!span_empty(rest) && span_at(rest, rest->start) != '.' && span_at(rest, rest->start) != '[') rest->start++;
        name->end = rest->start;
    }
    else if (c == '[') {
        *is_attribute = false;
        while (!span_empty(rest) && span_at(rest, rest->start) != ']') rest->start++;
        if (span_empty(rest)) return fail("Missing ']' in format string");
        name->end = rest->start++;
        if ((*index = span_integer(name)) == -2) return -1;
    }
    else return fail("Only '.' or '[' may follow ']' in format field specifier");
    return span_empty(name) ? fail("Empty attribute in format string") : 1;
}

static PyObject *get_item(PyObject *o, PyObject *key)       /* steals key */
{
    PyObject *item = key ? PyObject_GetItem(o, key) : NULL;
    Py_XDECREF(key);
    return item;
}

static PyObject *get_part(PyObject *o, bool is_attribute, Py_ssize_t index, const Span *name)
{
    if (is_attribute) {
        PyObject *key = span_text(name), *value = key ? PyObject_GetAttr(o, key) : NULL;
        Py_XDECREF(key);
        return value;
    }
    if (index == -1) return get_item(o, span_text(name));
    return PySequence_Check(o) ? PySequence_GetItem(o, index) : get_item(o, PyLong_FromSsize_t(index));
}

static PyObject *get_first(const Span *first, Py_ssize_t index, PyObject *args, PyObject *kwargs)
{
    if (index == -1) {
        PyObject *key = span_text(first);
        if (key && !kwargs) {
            PyErr_SetObject(PyExc_KeyError, key);
            Py_DECREF(key);
            return NULL;
        }
        return get_item(kwargs, key);
    }
    if (!args) {
        fail("Format string contains positional fields");
        return NULL;
    }
    if (index < PyTuple_GET_SIZE(args)) return Py_NewRef(PyTuple_GET_ITEM(args, index));
    PyErr_Format(PyExc_IndexError, "Replacement index %zd out of range for positional args tuple", index);
    return NULL;
}

static PyObject *get_field(const Span *name, PyObject *args, PyObject *kwargs, AutoNumber *numbering)
{
    Span first, rest, part;
    Py_ssize_t index;
    bool is_attribute;
    int more;
    if (split_name(name, &first, &rest, &index, numbering) < 0) return NULL;
    PyObject *o = get_first(&first, index, args, kwargs);
    while (o && (more = next_part(&rest, &is_attribute, &index, &part)) != 0) {
        PyObject *next = more < 0 ? NULL : get_part(o, is_attribute, index, &part);
        Py_SETREF(o, next);
    }
    return o;
}

/* ---- the format string ------------------------------------------------------------------------------------------------ */

typedef struct Piece {
    Span literal, name, spec;
    bool has_field, spec_has_fields;
    Py_UCS4 conversion;                                     /* 0: none */
} Piece;

/* in->start is behind the '{'. */
static int parse_field(Span *in, Piece *piece)
{
    Py_UCS4 c = 0;
    piece->has_field = true;
    piece->name = (Span){ in->s, in->start, in->start };
    bool ended = false;
    while (!ended && !span_empty(in)) {
        c = span_at(in, in->start++);
        if (c == '{') return fail("unexpected '{' in field name");
        if (c == '[') while (!span_empty(in) && span_at(in, in->start) != ']') in->start++;
        ended = c == '}' || c == ':' || c == '!';
    }
    piece->name.end = in->start - 1;
    if (c == '}') return 0;
    if (c != '!' && c != ':') return fail("expected '}' before end of string");
    if (c == '!') {
        if (span_empty(in)) return fail("end of string while looking for conversion specifier");
        piece->conversion = span_at(in, in->start++);
        if (!span_empty(in)) {
            c = span_at(in, in->start++);
            if (c == '}') return 0;
            if (c != ':') return fail("expected ':' after conversion specifier");
        }
    }
    piece->spec = (Span){ in->s, in->start, in->end - 1 };
    for (int depth = 1; !span_empty(in);) {
        c = span_at(in, in->start++);
        if (c == '{') {
            piece->spec_has_fields = true;
            depth++;
        }
        else if (c == '}' && --depth == 0) {
            piece->spec.end = in->start - 1;
            return 0;
        }
    }
    return fail("unmatched '{' in format spec");
}

/* 1: *piece is the next literal and field; 0: nothing left; -1 with ValueError. Doubled braces end a literal early. */
static int next_piece(Span *in, Piece *piece)
{
    memset(piece, 0, sizeof *piece);
    if (span_empty(in)) return 0;
    Py_ssize_t start = in->start;
    Py_UCS4 c = 0;
    bool markup = false;
    int kind = KIND(in->s);
    const void *data = DATA(in->s);
    if (kind == PyUnicode_1BYTE_KIND) {
        const unsigned char *p = (const unsigned char *)data + in->start, *end = (const unsigned char *)data + in->end - 1;
        while (p < end && *p != '{' && *p != '}') p++;
        in->start = p - (const unsigned char *)data;
    }
    while (in->start < in->end) {
        c = PyUnicode_READ(kind, data, in->start++);
        if (c == '{' || c == '}') {
            markup = true;
            break;
        }
    }
    bool at_end = in->start >= in->end;
    Py_ssize_t end = in->start;
    if (markup) {
        bool doubled = !at_end && span_at(in, in->start) == c;
        if (c == '}' && !doubled) return fail("Single '}' encountered in format string");
        if (at_end) return fail("Single '{' encountered in format string");
        if (doubled) {
            in->start++;
            markup = false;
        }
        else end--;
    }
    piece->literal = (Span){ in->s, start, end };
    return markup && parse_field(in, piece) < 0 ? -1 : 1;
}

/* ---- building the result ------------------------------------------------------------------------------------------------ */

static PyObject *build(const Span *format, PyObject *args, PyObject *kwargs, int depth, AutoNumber *numbering);

static PyObject *convert(PyObject *o, Py_UCS4 conversion)   /* steals o */
{
    PyObject *result = NULL;
    switch (conversion) {
        case 0: return o;
        case 'r': result = PyObject_Repr(o); break;
        case 's': result = PyObject_Str(o); break;
        case 'a': result = PyObject_ASCII(o); break;
        default:
            if (conversion > 32 && conversion < 127) PyErr_Format(PyExc_ValueError, "Unknown conversion specifier %c", (int)conversion);
            else PyErr_Format(PyExc_ValueError, "Unknown conversion specifier \\x%x", (unsigned)conversion);
    }
    Py_DECREF(o);
    return result;
}

static PyObject *render(PyObject *o, PyObject *spec)
{
    if (PyUnicode_CheckExact(o)) return format_str(o, spec);
    if (PyLong_CheckExact(o)) return format_int(o, spec);
    if (PyFloat_CheckExact(o)) return format_float(o, spec);
    if (PyComplex_CheckExact(o)) return format_complex(o, spec);
    return PyObject_Format(o, spec);
}

static int write_field(_PyUnicodeWriter *w, const Piece *piece, PyObject *args, PyObject *kwargs, int depth, AutoNumber *numbering)
{
    PyObject *o = get_field(&piece->name, args, kwargs, numbering), *spec = NULL, *text = NULL;
    int status = -1;
    if (o && piece->conversion) o = convert(o, piece->conversion);
    if (!o) return -1;
    if (PyUnicode_CheckExact(o) && span_empty(&piece->spec)) {      /* an empty spec changes nothing */
        status = _PyUnicodeWriter_WriteStr(w, o);
        Py_DECREF(o);
        return status;
    }
    if (piece->spec_has_fields) spec = build(&piece->spec, args, kwargs, depth - 1, numbering);
    else spec = piece->spec.s ? span_text(&piece->spec) : EMPTY_STR;
    if (spec && (text = render(o, spec))) status = _PyUnicodeWriter_WriteStr(w, text);
    Py_XDECREF(text);
    Py_XDECREF(spec);
    Py_DECREF(o);
    return status;
}

static PyObject *build(const Span *format, PyObject *args, PyObject *kwargs, int depth, AutoNumber *numbering)
{
    Span in = *format;
    Piece piece;
    _PyUnicodeWriter w;
    int more;
    if (depth <= 0) {
        fail("Max string recursion exceeded");
        return NULL;
    }
    _PyUnicodeWriter_Init(&w);
    w.overallocate = 1;
    w.min_length = format->end - format->start + 100;
    while ((more = next_piece(&in, &piece)) > 0) {
        if (!piece.has_field && span_empty(&in)) w.overallocate = 0;
        if (!span_empty(&piece.literal) &&
            _PyUnicodeWriter_WriteSubstring(&w, piece.literal.s, piece.literal.start, piece.literal.end) < 0) goto failed;
        if (!piece.has_field) continue;
        if (span_empty(&in)) w.overallocate = 0;
        if (write_field(&w, &piece, args, kwargs, depth, numbering) < 0) goto failed;
    }
    if (more == 0) return _PyUnicodeWriter_Finish(&w);
failed:
    _PyUnicodeWriter_Dealloc(&w);
    return NULL;
}

PyObject *format_fields(PyObject *format, PyObject *args, PyObject *kwargs)
{
    AutoNumber numbering = { NUMBERING_OPEN, 0 };
    Span span = { format, 0, LENGTH(format) };
    return build(&span, args, kwargs, 2, &numbering);
}

/* ---- for string.Formatter ------------------------------------------------------------------------------------------------ */

typedef struct SpanIterator { PyObject_HEAD PyObject *text; Span left; } SpanIterator;

static void span_iterator_dealloc(PyObject *self)
{
    Py_XDECREF(((SpanIterator *)self)->text);
    PyObject_Free(self);
}

static PyObject *span_iterator_new(PyTypeObject *type, PyObject *text, Span left)
{
    if (PyType_Ready(type) < 0) return NULL;
    SpanIterator *it = PyObject_New(SpanIterator, type);
    if (!it) return NULL;
    it->text = Py_NewRef(text);
    it->left = left;
    return OBJECT(it);
}

static PyObject *formatter_next(PyObject *self)
{
    Piece piece;
    if (next_piece(&((SpanIterator *)self)->left, &piece) <= 0) return NULL;
    PyObject *literal = span_text(&piece.literal);
    if (!literal || !piece.has_field) return literal ? Py_BuildValue("(NOOO)", literal, Py_None, Py_None, Py_None) : NULL;
    PyObject *name = span_text(&piece.name), *spec = piece.spec.s ? span_text(&piece.spec) : EMPTY_STR;
    PyObject *conversion = piece.conversion ? str_from_char(piece.conversion) : Py_NewRef(Py_None);
    if (name && spec && conversion) return Py_BuildValue("(NNNN)", literal, name, spec, conversion);
    Py_XDECREF(literal);
    Py_XDECREF(name);
    Py_XDECREF(spec);
    Py_XDECREF(conversion);
    return NULL;
}

static PyObject *field_name_next(PyObject *self)
{
    bool is_attribute;
    Py_ssize_t index;
    Span name;
    if (next_part(&((SpanIterator *)self)->left, &is_attribute, &index, &name) <= 0) return NULL;
    PyObject *part = index != -1 ? PyLong_FromSsize_t(index) : span_text(&name);
    return part ? Py_BuildValue("(NN)", PyBool_FromLong(is_attribute), part) : NULL;
}

#define SPAN_ITERATOR(variable, name, next) \
    static PyTypeObject variable = { \
        PyVarObject_HEAD_INIT(&PyType_Type, 0) \
        .tp_name = name, .tp_basicsize = sizeof(SpanIterator), .tp_dealloc = span_iterator_dealloc, \
        .tp_getattro = PyObject_GenericGetAttr, .tp_flags = Py_TPFLAGS_DEFAULT, .tp_iter = PyObject_SelfIter, .tp_iternext = next, \
    }

SPAN_ITERATOR(formatter_iterator_type, "formatteriterator", formatter_next);
SPAN_ITERATOR(field_name_iterator_type, "fieldnameiterator", field_name_next);

static int require_format(PyObject *o)
{
    if (PyUnicode_Check(o)) return 0;
    PyErr_Format(PyExc_TypeError, "expected str, got %s", Py_TYPE(o)->tp_name);
    return -1;
}

PyObject *format_parser_iter(PyObject *format)
{
    if (require_format(format) < 0) return NULL;
    return span_iterator_new(&formatter_iterator_type, format, (Span){ format, 0, LENGTH(format) });
}

PyObject *format_field_name_split(PyObject *name)
{
    Span first, rest;
    Py_ssize_t index;
    if (require_format(name) < 0) return NULL;
    Span whole = { name, 0, LENGTH(name) };
    if (split_name(&whole, &first, &rest, &index, NULL) < 0) return NULL;
    PyObject *head = index != -1 ? PyLong_FromSsize_t(index) : span_text(&first);
    PyObject *it = head ? span_iterator_new(&field_name_iterator_type, name, rest) : NULL;
    if (it) return Py_BuildValue("(NN)", head, it);
    Py_XDECREF(head);
    return NULL;
}
