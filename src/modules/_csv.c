/* The _csv module: dialects, readers and writers of comma separated values.
 *
 * The reader is a state machine over characters; a record may span lines. The writer joins quoted fields into one line. */
#include "capi/args.h"

#include <string.h>

typedef enum QuoteStyle { QUOTE_MINIMAL, QUOTE_ALL, QUOTE_NONNUMERIC, QUOTE_NONE, QUOTE_STRINGS, QUOTE_NOTNULL } QuoteStyle;

#define NOT_SET ((Py_UCS4)-1)

typedef struct CsvState {
    PyObject *error, *dialects;               /* dict: name to Dialect */
    PyTypeObject *dialect, *reader, *writer;
    long field_limit;
} CsvState;

typedef struct Dialect {
    PyObject_HEAD
    bool doublequote, skipinitialspace, strict;
    int quoting;
    Py_UCS4 delimiter, quotechar, escapechar;
    PyObject *lineterminator;
} Dialect;

typedef enum ReaderState {
    START_RECORD, START_FIELD, ESCAPED_CHAR, IN_FIELD, IN_QUOTED_FIELD, ESCAPE_IN_QUOTED_FIELD, QUOTE_IN_QUOTED_FIELD, EAT_CRNL, AFTER_ESCAPED_CRNL,
} ReaderState;

typedef struct Reader {
    PyObject_HEAD
    PyObject *input;
    Dialect *dialect;
    PyObject *fields;
    ReaderState state;
    Py_UCS4 *field;
    Py_ssize_t length, capacity;
    bool unquoted;                            /* so far nothing of the field was quoted */
    unsigned long line_num;
} Reader;

typedef struct Writer {
    PyObject_HEAD
    PyObject *write;
    Dialect *dialect;
    Py_UCS4 *record;
    Py_ssize_t length, capacity;
    Py_ssize_t fields;
} Writer;

static struct PyModuleDef csv_definition;

static CsvState *csv_state(PyObject *module) { return PyModule_GetState(module); }
static CsvState *csv_state_of(PyObject *o) { return csv_state(PyType_GetModuleByDef(Py_TYPE(o), &csv_definition)); }

static int grow(Py_UCS4 **buffer, Py_ssize_t *capacity, Py_ssize_t wanted)
{
    if (wanted <= *capacity) return 0;
    Py_ssize_t size = *capacity ? *capacity : 256;
    while (size < wanted) {
        if (size > PY_SSIZE_T_MAX / 8) {
            PyErr_NoMemory();
            return -1;
        }
        size *= 2;
    }
    Py_UCS4 *larger = PyMem_Realloc(*buffer, (size_t)size * sizeof *larger);
    if (!larger) {
        PyErr_NoMemory();
        return -1;
    }
    *buffer = larger;
    *capacity = size;
    return 0;
}

/* ---- dialects ----------------------------------------------------------------------------------------------------------------- */

static int set_bool(const char *name, bool *target, PyObject *value, bool otherwise)
{
    int truth = value ? PyObject_IsTrue(value) : otherwise;
    *target = truth > 0;
    return truth < 0 ? -1 : 0;
}

static int set_char(const char *name, Py_UCS4 *target, PyObject *value, Py_UCS4 otherwise, bool none_allowed)
{
    *target = otherwise;
    if (!value) return 0;
    if (none_allowed && value == Py_None) {
        *target = NOT_SET;
        return 0;
    }
    if (!PyUnicode_Check(value)) {
        PyErr_Format(PyExc_TypeError, "\"%s\" must be string%s, not %.200s", name, none_allowed ? " or None" : "", Py_TYPE(value)->tp_name);
        return -1;
    }
    if (PyUnicode_GET_LENGTH(value) != 1) {
        PyErr_Format(PyExc_TypeError, "\"%s\" must be a 1-character string", name);
        return -1;
    }
    *target = PyUnicode_READ_CHAR(value, 0);
    return 0;
}

static int set_quoting(int *target, PyObject *value)
{
    *target = QUOTE_MINIMAL;
    if (!value) return 0;
    if (!PyLong_CheckExact(value)) {
        PyErr_SetString(PyExc_TypeError, "\"quoting\" must be an integer");
        return -1;
    }
    *target = PyLong_AsInt(value);
    return *target == -1 && PyErr_Occurred() ? -1 : 0;
}

/* A character may not be a blank that is skipped, a newline, or another of the special ones. */
static int check_char(const char *name, Py_UCS4 c, const Dialect *d, bool allow_space)
{
    if (c == '\r' || c == '\n' || (c == ' ' && !allow_space)) {
        PyErr_Format(PyExc_ValueError, "bad %s value", name);
        return -1;
    }
    if (c != NOT_SET && PyUnicode_FindChar(d->lineterminator, c, 0, PyUnicode_GET_LENGTH(d->lineterminator), 1) >= 0) {
        PyErr_Format(PyExc_ValueError, "bad %s or lineterminator value", name);
        return -1;
    }
    return 0;
}

static int check_different(const char *a, const char *b, Py_UCS4 x, Py_UCS4 y)
{
    if (x != y || x == NOT_SET) return 0;
    PyErr_Format(PyExc_ValueError, "bad %s or %s value", a, b);
    return -1;
}

enum { D_DIALECT, D_DELIMITER, D_DOUBLEQUOTE, D_ESCAPECHAR, D_LINETERMINATOR, D_QUOTECHAR, D_QUOTING, D_SKIPINITIALSPACE, D_STRICT, D_COUNT };

SIGNATURE(dialect_signature, "Dialect", UNNAMED,
          "(dialect=None, delimiter=None, doublequote=None, escapechar=None, lineterminator=None, quotechar=None, quoting=None, "
          "skipinitialspace=None, strict=None)");

static PyObject *get_dialect(PyObject *module, PyObject *name)
{
    PyObject *found;
    if (PyDict_GetItemRef(csv_state(module)->dialects, name, &found) == 0) PyErr_Format(csv_state(module)->error, "unknown dialect");
    return found;
}

static int fill_dialect(Dialect *d, PyObject **arg)
{
    if (set_char("delimiter", &d->delimiter, arg[D_DELIMITER], ',', false) < 0 || set_bool("doublequote", &d->doublequote, arg[D_DOUBLEQUOTE], true) < 0
        || set_char("escapechar", &d->escapechar, arg[D_ESCAPECHAR], NOT_SET, true) < 0) return -1;
    if (!arg[D_LINETERMINATOR]) d->lineterminator = PyUnicode_FromString("\r\n");
    else if (!PyUnicode_Check(arg[D_LINETERMINATOR])) {
        PyErr_SetString(PyExc_TypeError, arg[D_LINETERMINATOR] == Py_None ? "lineterminator must be set" : "\"lineterminator\" must be a string");
        return -1;
    }
    else d->lineterminator = Py_NewRef(arg[D_LINETERMINATOR]);
    if (!d->lineterminator) return -1;
    if (set_char("quotechar", &d->quotechar, arg[D_QUOTECHAR], '"', true) < 0 || set_quoting(&d->quoting, arg[D_QUOTING]) < 0
        || set_bool("skipinitialspace", &d->skipinitialspace, arg[D_SKIPINITIALSPACE], false) < 0 || set_bool("strict", &d->strict, arg[D_STRICT], false) < 0)
        return -1;
    if (d->quoting < QUOTE_MINIMAL || d->quoting > QUOTE_NOTNULL) {
        PyErr_SetString(PyExc_TypeError, "bad \"quoting\" value");
        return -1;
    }
    if (d->delimiter == NOT_SET) {
        PyErr_SetString(PyExc_TypeError, "\"delimiter\" must be a 1-character string");
        return -1;
    }
    if (arg[D_QUOTECHAR] == Py_None && !arg[D_QUOTING]) d->quoting = QUOTE_NONE;
    if (d->quoting != QUOTE_NONE && d->quotechar == NOT_SET) {
        PyErr_SetString(PyExc_TypeError, "quotechar must be set if quoting enabled");
        return -1;
    }
    if (check_char("delimiter", d->delimiter, d, true) < 0 || check_char("escapechar", d->escapechar, d, !d->skipinitialspace) < 0
        || check_char("quotechar", d->quotechar, d, !d->skipinitialspace) < 0) return -1;
    if (check_different("delimiter", "escapechar", d->delimiter, d->escapechar) < 0 || check_different("delimiter", "quotechar", d->delimiter, d->quotechar) < 0)
        return -1;
    return check_different("escapechar", "quotechar", d->escapechar, d->quotechar);
}

static PyObject *dialect_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static const char *const names[] = { NULL, "delimiter", "doublequote", "escapechar", "lineterminator", "quotechar", "quoting", "skipinitialspace", "strict" };
    PyObject *arg[D_COUNT], *owned[D_COUNT] = { NULL }, *base = NULL, *module = PyType_GetModuleByDef(type, &csv_definition);
    if (!module || args_bind_tuple(&dialect_signature, args, kwargs, arg) < 0) return NULL;
    Dialect *d = NULL;
    if (arg[D_DIALECT] && arg[D_DIALECT] != Py_None) {
        base = PyUnicode_Check(arg[D_DIALECT]) ? get_dialect(module, arg[D_DIALECT]) : Py_NewRef(arg[D_DIALECT]);
        if (!base) return NULL;
        bool plain = true;
        for (int i = 1; i < D_COUNT; i++) plain = plain && !arg[i];
        if (plain && PyObject_TypeCheck(base, csv_state(module)->dialect)) return base;
        for (int i = 1; i < D_COUNT; i++) {
            if (arg[i]) continue;
            if (PyObject_GetOptionalAttrString(base, names[i], &owned[i]) < 0) PyErr_Clear();
            arg[i] = owned[i];
        }
    }
    if ((d = (Dialect *)type->tp_alloc(type, 0)) && fill_dialect(d, arg) < 0) Py_CLEAR(d);
    for (int i = 0; i < D_COUNT; i++) Py_XDECREF(owned[i]);
    Py_XDECREF(base);
    return (PyObject *)d;
}

static void dialect_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    Py_CLEAR(((Dialect *)self)->lineterminator);
    type->tp_free(self);
    Py_DECREF(type);
}

static int dialect_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    return 0;
}

static PyObject *char_object(Py_UCS4 c) { return c == NOT_SET ? Py_NewRef(Py_None) : PyUnicode_FromOrdinal((int)c); }

static PyObject *dialect_delimiter(PyObject *self, void *closure) { return char_object(((Dialect *)self)->delimiter); }
static PyObject *dialect_escapechar(PyObject *self, void *closure) { return char_object(((Dialect *)self)->escapechar); }
static PyObject *dialect_quotechar(PyObject *self, void *closure) { return char_object(((Dialect *)self)->quotechar); }
static PyObject *dialect_quoting(PyObject *self, void *closure) { return PyLong_FromLong(((Dialect *)self)->quoting); }
static PyObject *dialect_lineterminator(PyObject *self, void *closure) { return Py_XNewRef(((Dialect *)self)->lineterminator); }

static PyObject *dialect_reduce(PyObject *self, PyObject *args)
{
    return PyErr_Format(PyExc_TypeError, "cannot pickle '%.100s' instances", _PyType_Name(Py_TYPE(self)));
}

static PyMethodDef dialect_methods[] = { { "__reduce__", dialect_reduce, METH_VARARGS, NULL }, { "__reduce_ex__", dialect_reduce, METH_VARARGS, NULL }, { 0 } };
static PyMemberDef dialect_members[] = {
    { "skipinitialspace", Py_T_BOOL, offsetof(Dialect, skipinitialspace), Py_READONLY, NULL },
    { "doublequote", Py_T_BOOL, offsetof(Dialect, doublequote), Py_READONLY, NULL },
    { "strict", Py_T_BOOL, offsetof(Dialect, strict), Py_READONLY, NULL }, { 0 }
};
static PyGetSetDef dialect_getset[] = {
    { "delimiter", dialect_delimiter, NULL, NULL, NULL }, { "escapechar", dialect_escapechar, NULL, NULL, NULL },
    { "lineterminator", dialect_lineterminator, NULL, NULL, NULL }, { "quotechar", dialect_quotechar, NULL, NULL, NULL },
    { "quoting", dialect_quoting, NULL, NULL, NULL }, { 0 }
};
static PyType_Slot dialect_slots[] = {
    { Py_tp_doc, "CSV dialect\n\nThe Dialect type records CSV dialect options." }, { Py_tp_new, dialect_new }, { Py_tp_dealloc, dialect_dealloc },
    { Py_tp_traverse, dialect_traverse }, { Py_tp_methods, dialect_methods }, { Py_tp_members, dialect_members }, { Py_tp_getset, dialect_getset }, { 0, NULL }
};
static PyType_Spec dialect_spec = {
    "_csv.Dialect", sizeof(Dialect), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE, dialect_slots
};

static Dialect *make_dialect(CsvState *state, PyObject *dialect, PyObject *kwargs)
{
    PyObject *args = dialect ? PyTuple_Pack(1, dialect) : PyTuple_New(0), *o = args ? PyObject_Call((PyObject *)state->dialect, args, kwargs) : NULL;
    Py_XDECREF(args);
    return (Dialect *)o;
}

/* ---- reader ------------------------------------------------------------------------------------------------------------------- */

static int save_field(Reader *r)
{
    PyObject *field = NULL;
    QuoteStyle quoting = (QuoteStyle)r->dialect->quoting;
    if (quoting == QUOTE_NOTNULL && r->length == 0 && r->unquoted) field = Py_NewRef(Py_None);
    else if (quoting == QUOTE_STRINGS && r->length == 0 && r->unquoted) field = Py_NewRef(Py_None);
    else {
        field = PyUnicode_FromKindAndData(PyUnicode_4BYTE_KIND, r->field, r->length);
        if (field && r->unquoted && r->length != 0 && (quoting == QUOTE_NONNUMERIC || quoting == QUOTE_STRINGS)) {
            PyObject *number = PyNumber_Float(field);
            Py_SETREF(field, number);
        }
    }
    r->length = 0;
    int status = field ? PyList_Append(r->fields, field) : -1;
    Py_XDECREF(field);
    return status;
}

static int add_char(Reader *r, CsvState *state, Py_UCS4 c)
{
    if (r->length >= state->field_limit) {
        PyErr_Format(state->error, "field larger than field limit (%ld)", state->field_limit);
        return -1;
    }
    if (r->length == r->capacity && grow(&r->field, &r->capacity, r->length + 1) < 0) return -1;
    r->field[r->length++] = c;
    return 0;
}

#define END_OF_LINE ((Py_UCS4)-2)

static int process_char(Reader *r, CsvState *state, Py_UCS4 c)
{
    Dialect *d = r->dialect;
    bool newline = c == '\n' || c == '\r';
    switch (r->state) {
    case START_RECORD:
        if (c == END_OF_LINE) return 0;                   /* an empty line is an empty record */
        if (newline) {
            r->state = EAT_CRNL;
            return 0;
        }
        r->state = START_FIELD;
        FALLTHROUGH;
    case START_FIELD:
        r->unquoted = true;
        if (newline || c == END_OF_LINE) {
            if (save_field(r) < 0) return -1;
            r->state = c == END_OF_LINE ? START_RECORD : EAT_CRNL;
        }
        else if (c == d->quotechar && d->quoting != QUOTE_NONE) {
            r->unquoted = false;
            r->state = IN_QUOTED_FIELD;
        }
        else if (c == d->escapechar) r->state = ESCAPED_CHAR;
        else if (c == ' ' && d->skipinitialspace) ;
        else if (c == d->delimiter) return save_field(r);
        else {
            if (add_char(r, state, c) < 0) return -1;
            r->state = IN_FIELD;
        }
        return 0;
    case ESCAPED_CHAR:
        if (newline) {
            if (add_char(r, state, c) < 0) return -1;
            r->state = AFTER_ESCAPED_CRNL;
            return 0;
        }
        if (c == END_OF_LINE) c = '\n';
        if (add_char(r, state, c) < 0) return -1;
        r->state = IN_FIELD;
        return 0;
    case AFTER_ESCAPED_CRNL:
        if (c == END_OF_LINE) return 0;
        FALLTHROUGH;
    case IN_FIELD:
        if (newline || c == END_OF_LINE) {
            if (save_field(r) < 0) return -1;
            r->state = c == END_OF_LINE ? START_RECORD : EAT_CRNL;
        }
        else if (c == d->escapechar) r->state = ESCAPED_CHAR;
        else if (c == d->delimiter) {
            if (save_field(r) < 0) return -1;
            r->state = START_FIELD;
        }
        else return add_char(r, state, c);
        return 0;
    case IN_QUOTED_FIELD:
        if (c == END_OF_LINE) ;
        else if (c == d->escapechar) r->state = ESCAPE_IN_QUOTED_FIELD;
        else if (c == d->quotechar && d->quoting != QUOTE_NONE) r->state = d->doublequote ? QUOTE_IN_QUOTED_FIELD : IN_FIELD;
        else return add_char(r, state, c);
        return 0;
    case ESCAPE_IN_QUOTED_FIELD:
        if (c == END_OF_LINE) c = '\n';
        if (add_char(r, state, c) < 0) return -1;
        r->state = IN_QUOTED_FIELD;
        return 0;
    case QUOTE_IN_QUOTED_FIELD:
        if (d->quoting != QUOTE_NONE && c == d->quotechar) {
            if (add_char(r, state, c) < 0) return -1;
            r->state = IN_QUOTED_FIELD;
        }
        else if (c == d->delimiter) {
            if (save_field(r) < 0) return -1;
            r->state = START_FIELD;
        }
        else if (newline || c == END_OF_LINE) {
            if (save_field(r) < 0) return -1;
            r->state = c == END_OF_LINE ? START_RECORD : EAT_CRNL;
        }
        else if (!d->strict) {
            if (add_char(r, state, c) < 0) return -1;
            r->state = IN_FIELD;
        }
        else {
            PyErr_Format(state->error, "'%c' expected after '%c'", d->delimiter, d->quotechar);
            return -1;
        }
        return 0;
    case EAT_CRNL:
        if (newline) return 0;
        if (c == END_OF_LINE) {
            r->state = START_RECORD;
            return 0;
        }
        PyErr_SetString(state->error, "new-line character seen in unquoted field - do you need to open the file with newline=''?");
        return -1;
    }
    return 0;
}

static PyObject *reader_next(PyObject *self)
{
    Reader *r = (Reader *)self;
    CsvState *state = csv_state_of(self);
    PyObject *fields = PyList_New(0);
    if (!fields) return NULL;
    Py_XSETREF(r->fields, fields);
    r->length = 0;
    r->state = START_RECORD;
    r->unquoted = true;
    do {
        PyObject *line = PyIter_Next(r->input);
        if (r->fields != fields) {            /* only compared: it may be gone */
            if (!PyErr_Occurred()) PyErr_SetString(state->error, "iterator has already advanced the reader");
            Py_XDECREF(line);
            return NULL;
        }
        if (!line) {
            if (!PyErr_Occurred() && (r->length != 0 || r->state == IN_QUOTED_FIELD)) {
                if (r->dialect->strict) PyErr_SetString(state->error, "unexpected end of data");
                else if (save_field(r) >= 0) break;
            }
            return NULL;
        }
        if (!PyUnicode_Check(line)) {
            PyErr_Format(state->error, "iterator should return strings, not %.200s (the file should be opened in text mode)", Py_TYPE(line)->tp_name);
            Py_DECREF(line);
            return NULL;
        }
        r->line_num++;
        int kind = (int)PyUnicode_KIND(line);
        const void *data = PyUnicode_DATA(line);
        Py_ssize_t n = PyUnicode_GET_LENGTH(line);
        for (Py_ssize_t i = 0; i < n; i++) {
            if (process_char(r, state, PyUnicode_READ(kind, data, i)) < 0) {
                Py_DECREF(line);
                return NULL;
            }
        }
        Py_DECREF(line);
        if (process_char(r, state, END_OF_LINE) < 0) return NULL;
    } while (r->state != START_RECORD);
    fields = r->fields;
    r->fields = NULL;
    return fields;
}

static void reader_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    Py_CLEAR(((Reader *)self)->dialect);
    Py_CLEAR(((Reader *)self)->input);
    Py_CLEAR(((Reader *)self)->fields);
    PyMem_Free(((Reader *)self)->field);
    PyObject_GC_Del(self);
    Py_DECREF(type);
}

static int reader_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(((Reader *)self)->dialect);
    Py_VISIT(((Reader *)self)->input);
    Py_VISIT(((Reader *)self)->fields);
    Py_VISIT(Py_TYPE(self));
    return 0;
}

static int reader_clear(PyObject *self)
{
    Py_CLEAR(((Reader *)self)->dialect);
    Py_CLEAR(((Reader *)self)->input);
    Py_CLEAR(((Reader *)self)->fields);
    return 0;
}

static PyMemberDef reader_members[] = {
    { "dialect", Py_T_OBJECT_EX, offsetof(Reader, dialect), Py_READONLY, NULL }, { "line_num", Py_T_ULONG, offsetof(Reader, line_num), Py_READONLY, NULL }, { 0 }
};
static PyType_Slot reader_slots[] = {
    { Py_tp_doc, "CSV reader\n\nReader objects are responsible for reading and parsing tabular data\nin CSV format." }, { Py_tp_dealloc, reader_dealloc },
    { Py_tp_traverse, reader_traverse }, { Py_tp_clear, reader_clear }, { Py_tp_iter, PyObject_SelfIter }, { Py_tp_iternext, reader_next },
    { Py_tp_members, reader_members }, { 0, NULL }
};
static PyType_Spec reader_spec = {
    "_csv.reader", sizeof(Reader), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION, reader_slots
};

static PyObject *csv_reader(PyObject *module, PyObject *args, PyObject *kwargs)
{
    PyObject *iterable, *dialect = NULL;
    CsvState *state = csv_state(module);
    if (!PyArg_UnpackTuple(args, "", 1, 2, &iterable, &dialect)) return NULL;
    Reader *r = PyObject_GC_New(Reader, state->reader);
    if (!r) return NULL;
    memset((char *)r + sizeof(PyObject), 0, sizeof *r - sizeof(PyObject));
    PyObject_GC_Track(r);
    if (!(r->input = PyObject_GetIter(iterable)) || !(r->dialect = make_dialect(state, dialect, kwargs))) Py_CLEAR(r);
    return (PyObject *)r;
}

/* ---- writer ------------------------------------------------------------------------------------------------------------------- */

static int put(Writer *w, Py_UCS4 c)
{
    if (w->length == w->capacity && grow(&w->record, &w->capacity, w->length + 1) < 0) return -1;
    w->record[w->length++] = c;
    return 0;
}

/* Does the field have to be quoted because of its characters? With QUOTE_NONE an escape character is needed instead. */
static int append_text(Writer *w, CsvState *state, PyObject *text, bool quoted)
{
    Dialect *d = w->dialect;
    Py_ssize_t n = text ? PyUnicode_GET_LENGTH(text) : 0, start = w->length;
    int kind = text ? (int)PyUnicode_KIND(text) : 1;
    const void *data = text ? PyUnicode_DATA(text) : NULL;
    if (grow(&w->record, &w->capacity, w->length + n * 2 + 4) < 0) return -1;
again:
    w->length = start;
    if (w->fields > 0 && put(w, d->delimiter) < 0) return -1;
    if (quoted && put(w, d->quotechar) < 0) return -1;
    for (Py_ssize_t i = 0; i < n; i++) {
        Py_UCS4 c = PyUnicode_READ(kind, data, i);
        bool escape = false;
        if (c == d->delimiter || c == d->escapechar || c == d->quotechar || c == '\n' || c == '\r'
            || PyUnicode_FindChar(d->lineterminator, c, 0, PyUnicode_GET_LENGTH(d->lineterminator), 1) >= 0) {
            if (d->quoting == QUOTE_NONE) escape = true;
            else {
                if (c == d->quotechar) {
                    if (d->doublequote) {
                        if (quoted && put(w, d->quotechar) < 0) return -1;
                    }
                    else escape = true;
                }
                else if (c == d->escapechar) escape = true;
                if (!escape && !quoted) {
                    quoted = true;
                    goto again;
                }
            }
            if (escape) {
                if (d->escapechar == NOT_SET) {
                    PyErr_Format(state->error, "need to escape, but no escapechar set");
                    return -1;
                }
                if (put(w, d->escapechar) < 0) return -1;
            }
        }
        if (put(w, c) < 0) return -1;
    }
    if (quoted && put(w, d->quotechar) < 0) return -1;
    w->fields++;
    return 0;
}

static bool must_quote(Dialect *d, PyObject *field)
{
    switch ((QuoteStyle)d->quoting) {
    case QUOTE_NONNUMERIC: return !PyNumber_Check(field);
    case QUOTE_ALL: return true;
    case QUOTE_STRINGS: return PyUnicode_Check(field);
    case QUOTE_NOTNULL: return field != Py_None;
    default: return false;
    }
}

static int append_field(Writer *w, CsvState *state, PyObject *field)
{
    Dialect *d = w->dialect;
    bool quoted = must_quote(d, field);
    bool is_null = field == Py_None;
    if (d->delimiter == ' ' && d->skipinitialspace && (is_null || (PyUnicode_Check(field) && PyUnicode_GET_LENGTH(field) == 0))) {
        if (d->quoting == QUOTE_NONE || (is_null && (d->quoting == QUOTE_STRINGS || d->quoting == QUOTE_NOTNULL))) {
            PyErr_Format(state->error, "empty field must be quoted if delimiter is a space and skipinitialspace is true");
            return -1;
        }
        quoted = true;
    }
    if (PyUnicode_Check(field)) return append_text(w, state, field, quoted);
    if (is_null) return append_text(w, state, NULL, quoted);
    PyObject *text = PyObject_Str(field);
    int status = text ? append_text(w, state, text, quoted) : -1;
    Py_XDECREF(text);
    return status;
}

BUILTIN_O(writer, writerow, "(iterable)", "Construct and write a CSV record from an iterable of fields. Non-string elements will be converted to string.")
{
    Writer *w = (Writer *)self;
    CsvState *state = csv_state_of(self);
    Dialect *d = w->dialect;
    PyObject *field, *it = PyObject_GetIter(arg);
    bool null_field = false;
    if (!it) {
        if (PyErr_ExceptionMatches(PyExc_TypeError)) PyErr_Format(state->error, "iterable expected, not %.200s", Py_TYPE(arg)->tp_name);
        return NULL;
    }
    w->length = w->fields = 0;
    while ((field = PyIter_Next(it))) {
        null_field = field == Py_None;
        int status = append_field(w, state, field);
        Py_DECREF(field);
        if (status < 0) {
            Py_DECREF(it);
            return NULL;
        }
    }
    Py_DECREF(it);
    if (PyErr_Occurred()) return NULL;
    if (w->fields > 0 && w->length == 0) {                 /* one empty field would read as no field */
        if (d->quoting == QUOTE_NONE || (null_field && (d->quoting == QUOTE_STRINGS || d->quoting == QUOTE_NOTNULL)))
            return PyErr_Format(state->error, "single empty field record must be quoted");
        w->fields--;
        if (append_text(w, state, NULL, true) < 0) return NULL;
    }
    Py_ssize_t n = PyUnicode_GET_LENGTH(d->lineterminator);
    for (Py_ssize_t i = 0; i < n; i++) if (put(w, PyUnicode_READ_CHAR(d->lineterminator, i)) < 0) return NULL;
    PyObject *line = PyUnicode_FromKindAndData(PyUnicode_4BYTE_KIND, w->record, w->length);
    if (!line) return NULL;
    PyObject *result = PyObject_CallOneArg(w->write, line);
    Py_DECREF(line);
    return result;
}

BUILTIN_O(writer, writerows, "(iterable of iterables)", "Construct and write a series of iterables to a csv file.")
{
    PyObject *row, *it = PyObject_GetIter(arg);
    if (!it) return NULL;
    while ((row = PyIter_Next(it))) {
        PyObject *result = writer_writerow(self, row);
        Py_DECREF(row);
        if (!result) break;
        Py_DECREF(result);
    }
    Py_DECREF(it);
    if (PyErr_Occurred()) return NULL;
    Py_RETURN_NONE;
}

static void writer_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    Py_CLEAR(((Writer *)self)->dialect);
    Py_CLEAR(((Writer *)self)->write);
    PyMem_Free(((Writer *)self)->record);
    PyObject_GC_Del(self);
    Py_DECREF(type);
}

static int writer_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(((Writer *)self)->dialect);
    Py_VISIT(((Writer *)self)->write);
    Py_VISIT(Py_TYPE(self));
    return 0;
}

static int writer_clear(PyObject *self)
{
    Py_CLEAR(((Writer *)self)->dialect);
    Py_CLEAR(((Writer *)self)->write);
    return 0;
}

static PyMethodDef writer_methods[] = {
    METHOD(writer, writerow), METHOD(writer, writerows), { 0 }
};
static PyMemberDef writer_members[] = { { "dialect", Py_T_OBJECT_EX, offsetof(Writer, dialect), Py_READONLY, NULL }, { 0 } };
static PyType_Slot writer_slots[] = {
    { Py_tp_doc, "CSV writer\n\nWriter objects are responsible for generating tabular data\nin CSV format from sequence input." }, { Py_tp_dealloc, writer_dealloc },
    { Py_tp_traverse, writer_traverse }, { Py_tp_clear, writer_clear }, { Py_tp_methods, writer_methods }, { Py_tp_members, writer_members }, { 0, NULL }
};
static PyType_Spec writer_spec = {
    "_csv.writer", sizeof(Writer), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION, writer_slots
};

static PyObject *csv_writer(PyObject *module, PyObject *args, PyObject *kwargs)
{
    PyObject *file, *dialect = NULL;
    CsvState *state = csv_state(module);
    if (!PyArg_UnpackTuple(args, "", 1, 2, &file, &dialect)) return NULL;
    Writer *w = PyObject_GC_New(Writer, state->writer);
    if (!w) return NULL;
    memset((char *)w + sizeof(PyObject), 0, sizeof *w - sizeof(PyObject));
    PyObject_GC_Track(w);
    if (PyObject_GetOptionalAttrString(file, "write", &w->write) < 0) {
        Py_DECREF(w);
        return NULL;
    }
    if (!w->write || !PyCallable_Check(w->write)) {
        PyErr_SetString(PyExc_TypeError, "argument 1 must have a \"write\" method");
        Py_CLEAR(w);
    }
    else if (!(w->dialect = make_dialect(state, dialect, kwargs))) Py_CLEAR(w);
    return (PyObject *)w;
}

/* ---- the module --------------------------------------------------------------------------------------------------------------- */

BUILTIN_NOARGS(csv, list_dialects, "($module, /)", "Return a list of all known dialect names.") { return PyDict_Keys(csv_state(self)->dialects); }

static PyObject *csv_register_dialect(PyObject *module, PyObject *args, PyObject *kwargs)
{
    PyObject *name, *dialect = NULL;
    CsvState *state = csv_state(module);
    if (!PyArg_UnpackTuple(args, "", 1, 2, &name, &dialect)) return NULL;
    if (!PyUnicode_Check(name)) return PyErr_Format(PyExc_TypeError, "dialect name must be a string");
    Dialect *d = make_dialect(state, dialect, kwargs);
    if (!d) return NULL;
    int status = PyDict_SetItem(state->dialects, name, (PyObject *)d);
    Py_DECREF(d);
    if (status < 0) return NULL;
    Py_RETURN_NONE;
}

BUILTIN(csv, unregister_dialect, KEYWORDS, "($module, /, name)", "Delete the name/dialect mapping associated with a string name.")
{
    CsvState *state = csv_state(self);
    int found = PyDict_Pop(state->dialects, arg[0], NULL);
    if (found < 0) return NULL;
    if (!found) return PyErr_Format(state->error, "unknown dialect");
    Py_RETURN_NONE;
}

BUILTIN(csv, get_dialect, KEYWORDS, "($module, /, name)", "Return the dialect instance associated with name.") { return get_dialect(self, arg[0]); }

BUILTIN(csv, field_size_limit, KEYWORDS, "($module, /, new_limit=<unrepresentable>)", "Sets an upper limit on parsed fields; returns the old limit.")
{
    CsvState *state = csv_state(self);
    long old = state->field_limit;
    if (arg[0]) {
        if (!PyLong_CheckExact(arg[0])) return PyErr_Format(PyExc_TypeError, "limit must be an integer");
        long limit = PyLong_AsLong(arg[0]);
        if (limit == -1 && PyErr_Occurred()) return NULL;
        state->field_limit = limit;
    }
    return PyLong_FromLong(old);
}

static PyMethodDef csv_methods[] = {
    { "reader", (PyCFunction)(void (*)(void))csv_reader, METH_VARARGS | METH_KEYWORDS,
      "csv_reader = reader(iterable [, dialect='excel'] [optional keyword args])\n\nAn iterator over the records of an iterable of lines: lists of strings." },
    { "writer", (PyCFunction)(void (*)(void))csv_writer, METH_VARARGS | METH_KEYWORDS,
      "csv_writer = csv.writer(fileobj [, dialect='excel'] [optional keyword args])\n\nWrites rows to an object with a write() method." },
    { "register_dialect", (PyCFunction)(void (*)(void))csv_register_dialect, METH_VARARGS | METH_KEYWORDS,
      "Create a mapping from a string name to a dialect class.\ndialect = csv.register_dialect(name[, dialect[, **fmtparams]])" },
    METHOD(csv, list_dialects), METHOD(csv, unregister_dialect), METHOD(csv, get_dialect), METHOD(csv, field_size_limit),
    { 0 }
};

static int csv_exec(PyObject *module)
{
    CsvState *state = csv_state(module);
    static const struct { const char *name; int value; } constants[] = {
        { "QUOTE_MINIMAL", QUOTE_MINIMAL }, { "QUOTE_ALL", QUOTE_ALL }, { "QUOTE_NONNUMERIC", QUOTE_NONNUMERIC }, { "QUOTE_NONE", QUOTE_NONE },
        { "QUOTE_STRINGS", QUOTE_STRINGS }, { "QUOTE_NOTNULL", QUOTE_NOTNULL },
    };
    state->field_limit = 128 * 1024;
    if (PyModule_AddStringConstant(module, "__version__", "1.0") < 0) return -1;
    if (!(state->dialects = PyDict_New()) || PyModule_AddObjectRef(module, "_dialects", state->dialects) < 0) return -1;
    for (size_t i = 0; i < ARRAY_LENGTH(constants); i++)
        if (PyModule_AddIntConstant(module, constants[i].name, constants[i].value) < 0) return -1;
    if (!(state->dialect = (PyTypeObject *)PyType_FromModuleAndSpec(module, &dialect_spec, NULL)) || PyModule_AddType(module, state->dialect) < 0) return -1;
    if (!(state->reader = (PyTypeObject *)PyType_FromModuleAndSpec(module, &reader_spec, NULL))) return -1;
    if (PyModule_AddObjectRef(module, "Reader", (PyObject *)state->reader) < 0) return -1;
    if (!(state->writer = (PyTypeObject *)PyType_FromModuleAndSpec(module, &writer_spec, NULL))) return -1;
    if (PyModule_AddObjectRef(module, "Writer", (PyObject *)state->writer) < 0) return -1;
    if (!(state->error = PyErr_NewException("_csv.Error", NULL, NULL))) return -1;
    return PyModule_AddObjectRef(module, "Error", state->error);
}

static int csv_traverse(PyObject *module, visitproc visit, void *arg)
{
    CsvState *state = csv_state(module);
    Py_VISIT(state->error);
    Py_VISIT(state->dialects);
    Py_VISIT(state->dialect);
    Py_VISIT(state->reader);
    Py_VISIT(state->writer);
    return 0;
}

static int csv_clear(PyObject *module)
{
    CsvState *state = csv_state(module);
    Py_CLEAR(state->error);
    Py_CLEAR(state->dialects);
    Py_CLEAR(state->dialect);
    Py_CLEAR(state->reader);
    Py_CLEAR(state->writer);
    return 0;
}

static void csv_free(void *module) { csv_clear(module); }

static PyModuleDef_Slot csv_slots[] = {
    { Py_mod_exec, csv_exec }, { Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED }, { 0 }
};
static struct PyModuleDef csv_definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_csv",
    .m_doc = "CSV parsing and writing.",
    .m_size = sizeof(CsvState),
    .m_methods = csv_methods,
    .m_slots = csv_slots,
    .m_traverse = csv_traverse,
    .m_clear = csv_clear,
    .m_free = csv_free,
};
PyMODINIT_FUNC PyInit__csv(void) { return PyModuleDef_Init(&csv_definition); }
