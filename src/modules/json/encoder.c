/* Writing JSON: the Encoder type. */
#include "json_private.h"
#include "objects/float_text.h"
#include "objects/long.h"

typedef struct Encoder {
    PyObject_HEAD
    PyObject *markers, *default_function, *encoder, *indent, *key_separator, *item_separator;
    char sort_keys, skipkeys;
    char allow_nan;
    char plain;                               /* encoder is encode_basestring (1) or encode_basestring_ascii (2) */
} Encoder;

#define ENCODER(o) ((Encoder *)(o))

_Static_assert(sizeof(Encoder) <= 80, "not larger than in CPython");

/* ---- strings ----------------------------------------------------------------------------------------------------------- */

static const char hex_digits[] = "0123456789abcdef";

/* A character that is escaped. */
static int put_escape(Text *t, Py_UCS4 ch)
{
    char out[12] = { '\\' };
    Py_ssize_t n = 2;
    switch (ch) {
    case '"': case '\\': out[1] = (char)ch; break;
    case '\b': out[1] = 'b'; break;
    case '\f': out[1] = 'f'; break;
    case '\n': out[1] = 'n'; break;
    case '\r': out[1] = 'r'; break;
    case '\t': out[1] = 't'; break;
    default: {
        Py_UCS4 unit = ch >= 0x10000 ? Py_UNICODE_HIGH_SURROGATE(ch) : ch;
        for (n = 0;; unit = Py_UNICODE_LOW_SURROGATE(ch)) {
            out[n++] = '\\';
            out[n++] = 'u';
            for (int shift = 12; shift >= 0; shift -= 4) out[n++] = hex_digits[unit >> shift & 15];
            if (ch < 0x10000 || n > 6) break;
        }
    }
    }
    return text_put_ascii(t, out, n);
}

/* Bytes from i on that need no escape. any: characters above 126 count as well. */
static ALWAYS_INLINE Py_ssize_t plain_run(const Py_UCS1 *chars, Py_ssize_t i, Py_ssize_t n, bool ascii)
{
    Py_ssize_t start = i;
    for (; i + 8 <= n; i += 8) {
        uint64_t word;
        memcpy(&word, chars + i, 8);
        /* 127 and above: the high bit, or all seven lower ones */
        uint64_t special = special_bytes(word) | (ascii ? (word | (word + BYTES(1))) & BYTES(0x80) : 0);
        if (special) break;
    }
    while (i < n && chars[i] >= 32 && chars[i] != '"' && chars[i] != '\\' && (!ascii || chars[i] < 127)) i++;
    return i - start;
}

/* s in quotes, escaped. */
static int json_put_string(Text *t, PyObject *s, bool ascii)
{
    Py_ssize_t n = PyUnicode_GET_LENGTH(s);
    int kind = PyUnicode_KIND(s);
    const void *data = PyUnicode_DATA(s);
    if (text_reserve(t, n + 2) < 0) return -1;
    text_store(t, '"');
    if (kind == 1) {
        const Py_UCS1 *chars = data;
        bool is_ascii = PyUnicode_IS_ASCII(s);
        for (Py_ssize_t i = 0; i < n;) {
            Py_ssize_t run = plain_run(chars, i, n, ascii);
            if (run && (ascii || is_ascii ? text_put_ascii(t, (const char *)chars + i, run) : text_put_chars(t, 1, chars + i, run)) < 0) return -1;
            i += run;
            if (i < n && put_escape(t, chars[i++]) < 0) return -1;
        }
    }
    else
        for (Py_ssize_t i = 0; i < n; i++) {
            Py_UCS4 ch = PyUnicode_READ(kind, data, i);
            bool plain = ch >= 32 && ch != '"' && ch != '\\' && (!ascii || ch < 127);
            if ((plain ? text_put(t, ch) : put_escape(t, ch)) < 0) return -1;
        }
    return text_put(t, '"');
}

static PyObject *encode_basestring(PyObject *s, bool ascii)
{
    Text t = { 0 };
    if (!PyUnicode_Check(s)) {
        PyErr_Format(PyExc_TypeError, "first argument must be a string, not %.80s", Py_TYPE(s)->tp_name);
        return NULL;
    }
    if (json_put_string(&t, s, ascii) == 0) return text_finish(&t);
    text_drop(&t);
    return NULL;
}

BUILTIN_O(json, encode_basestring_ascii, "($module, object, /)", "Return an ASCII-only JSON representation of a Python string.")
{
    return encode_basestring(arg, true);
}

BUILTIN_O(json, encode_basestring, "($module, object, /)", "Return a JSON representation of a Python string.")
{
    return encode_basestring(arg, false);
}

/* ---- one call of an encoder ---------------------------------------------------------------------------------------------- */

/* A container being written. The outermost are in the markers dict, the newer ones only in this list: most documents are
 * shallow, and a look along a few links is cheaper than three operations on a dict. */
typedef struct Open { struct Open *outer; PyObject *object; bool in_markers; } Open;

enum { OPEN_MAX = 24 };                       /* links looked at before they go to the dict */

typedef struct Encoding {
    Encoder *e;
    Text text;
    Open *open;
    int unmarked;                             /* newest entries of open that are not in markers */
    PyObject *lines;                          /* with indent: list of "\n" and the indentation of each level */
    Py_ssize_t level;
} Encoding;

static int put_value(Encoding *c, PyObject *o);

static int marker_set(Encoding *c, Open *open)
{
    PyObject *key = PyLong_FromVoidPtr(open->object);
    int status = key ? PyDict_SetItem(c->e->markers, key, open->object) : -1;
    Py_XDECREF(key);
    open->in_markers = status == 0;
    return status;
}

/* Before code of the user runs that may look. */
static int markers_complete(Encoding *c)
{
    for (Open *o = c->open; o && !o->in_markers; o = o->outer) if (marker_set(c, o) < 0) return -1;
    c->unmarked = 0;
    return 0;
}

static int circular(void)
{
    PyErr_SetString(PyExc_ValueError, "Circular reference detected");
    return -1;
}

static int open_object(Encoding *c, Open *open, PyObject *o)
{
    *open = (Open){ c->open, o, false };
    if (c->e->markers == Py_None) return 0;
    for (Open *outer = c->open; outer && !outer->in_markers; outer = outer->outer) if (outer->object == o) return circular();
    if (PyDict_GET_SIZE(c->e->markers)) {
        PyObject *key = PyLong_FromVoidPtr(o);
        int known = key ? PyDict_Contains(c->e->markers, key) : -1;
        Py_XDECREF(key);
        if (known) return known < 0 ? -1 : circular();
    }
    if (c->unmarked >= OPEN_MAX && markers_complete(c) < 0) return -1;
    c->open = open;
    c->unmarked++;
    return 0;
}

/* Behind open_object(): what failed stays in markers. */
static int close_object(Encoding *c, Open *open, int status)
{
    if (c->e->markers == Py_None) return status;
    c->open = open->outer;
    if (status == 0 && open->in_markers) {
        PyObject *key = PyLong_FromVoidPtr(open->object);
        status = key ? PyDict_DelItem(c->e->markers, key) : -1;
        Py_XDECREF(key);
    }
    else if (status < 0 && !open->in_markers) {
        PyObject *error = PyErr_GetRaisedException();
        if (marker_set(c, open) < 0) PyErr_Clear();
        PyErr_SetRaisedException(error);
    }
    if (!open->in_markers) c->unmarked--;
    return status;
}

/* ---- atoms --------------------------------------------------------------------------------------------------------------- */

static int put_with(Encoding *c, PyObject *s)
{
    if (c->e->plain) return json_put_string(&c->text, s, c->e->plain == 2);
    PyObject *encoded = PyObject_CallOneArg(c->e->encoder, s);
    if (!encoded) return -1;
    int status = -1;
    if (PyUnicode_Check(encoded)) status = text_put_str(&c->text, encoded);
    else PyErr_Format(PyExc_TypeError, "encoder() must return a string, not %.80s", Py_TYPE(encoded)->tp_name);
    Py_DECREF(encoded);
    return status;
}

/* Text of an int that fits 60 bits; returns where it begins in the buffer. */
static char *short_text(int64_t value, char *end)
{
    uint64_t left = value < 0 ? (uint64_t)-value : (uint64_t)value;
    do *--end = (char)('0' + left % 10); while (left /= 10);
    if (value < 0) *--end = '-';
    return end;
}

static int put_long(Encoding *c, PyObject *o)
{
    char buffer[24], *end = buffer + sizeof buffer;
    if (LIKELY(long_is_short(LONG(o)))) {
        char *text = short_text(long_short_value(LONG(o)), end);
        return text_put_ascii(&c->text, text, end - text);
    }
    PyObject *text = PyLong_Type.tp_repr(o);
    if (!text) return -1;
    int status = text_put_str(&c->text, text);
    Py_DECREF(text);
    return status;
}

static int put_float(Encoding *c, PyObject *o)
{
    double value = PyFloat_AS_DOUBLE(o);
    char text[FLOAT_REPR_SIZE];
    if (LIKELY(isfinite(value))) return text_put_ascii(&c->text, text, float_repr_text(value, text));
    if (!c->e->allow_nan) {
        PyErr_Format(PyExc_ValueError, "Out of range float values are not JSON compliant: %R", o);
        return -1;
    }
    const char *word = isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";
    return text_put_ascii(&c->text, word, (Py_ssize_t)strlen(word));
}

/* NULL: not None, True or False. */
static const char *constant_text(PyObject *o) { return o == Py_None ? "null" : o == Py_True ? "true" : o == Py_False ? "false" : NULL; }

/* ---- lines ------------------------------------------------------------------------------------------------------------- */

/* "\n" and the indentation of the level that is begun. */
static int line_enter(Encoding *c)
{
    if (c->e->indent == Py_None) return 0;
    Py_ssize_t level = c->level + 1;
    if (level >= PyList_GET_SIZE(c->lines)) {
        PyObject *line = PyUnicode_Concat(PyList_GET_ITEM(c->lines, level - 1), c->e->indent);
        int status = line ? PyList_Append(c->lines, line) : -1;
        Py_XDECREF(line);
        if (status < 0) return -1;
    }
    c->level = level;
    return text_put_str(&c->text, PyList_GET_ITEM(c->lines, level));
}

static int line_leave(Encoding *c)
{
    if (c->e->indent == Py_None) return 0;
    return text_put_str(&c->text, PyList_GET_ITEM(c->lines, --c->level));
}

static int put_separator(Encoding *c)
{
    if (text_put_str(&c->text, c->e->item_separator) < 0) return -1;
    return c->e->indent == Py_None ? 0 : text_put_str(&c->text, PyList_GET_ITEM(c->lines, c->level));
}

/* ---- containers ---------------------------------------------------------------------------------------------------------- */

static int put_items(Encoding *c, PyObject *sequence)
{
    if (text_put(&c->text, '[') < 0 || line_enter(c) < 0) return -1;
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(sequence); i++) {
        PyObject *item = Py_NewRef(PySequence_Fast_GET_ITEM(sequence, i));
        int status = i ? put_separator(c) : 0;
        if (status == 0) status = put_value(c, item);
        Py_DECREF(item);
        if (status < 0) return -1;
    }
    return line_leave(c) < 0 ? -1 : text_put(&c->text, ']');
}

static int put_list(Encoding *c, PyObject *o)
{
    PyObject *sequence = PySequence_Fast(o, "_iterencode_list needs a sequence");
    if (!sequence) return -1;
    int status;
    if (PySequence_Fast_GET_SIZE(sequence) == 0) status = text_put_ascii(&c->text, "[]", 2);
    else {
        Open open;
        status = open_object(c, &open, o);
        if (status == 0) status = close_object(c, &open, put_items(c, sequence));
    }
    Py_DECREF(sequence);
    return status;
}

/* A key as a string: 0, -1, or 1 when it is to be left out. */
static int put_key(Encoding *c, PyObject *key, bool first)
{
    PyObject *text = NULL;
    const char *word = NULL;
    if (PyUnicode_Check(key)) text = Py_NewRef(key);
    else if (PyFloat_Check(key)) {
        /* the number as the encoder writes it, in quotes */
        Encoding number = { .e = c->e };
        if (put_float(&number, key) < 0) {
            text_drop(&number.text);
            return -1;
        }
        text = text_finish(&number.text);
    }
    else if ((word = constant_text(key))) text = PyUnicode_InternFromString(word);
    else if (PyLong_Check(key)) text = PyLong_Type.tp_repr(key);
    else if (c->e->skipkeys) return 1;
    else {
        PyErr_Format(PyExc_TypeError, "keys must be str, int, float, bool or None, not %.100s", Py_TYPE(key)->tp_name);
        return -1;
    }
    if (!text) return -1;
    int status = first ? line_enter(c) : put_separator(c);
    if (status == 0) status = put_with(c, text);
    Py_DECREF(text);
    return status < 0 ? -1 : text_put_str(&c->text, c->e->key_separator);
}

static int put_pair(Encoding *c, PyObject *key, PyObject *value, bool *first)
{
    int status = put_key(c, key, *first);
    if (status) return status < 0 ? -1 : 0;
    *first = false;
    return put_value(c, value);
}

/* The items of a dict of another kind, or sorted. */
static int put_pairs_of(Encoding *c, PyObject *o, bool *first)
{
    PyObject *items = PyMapping_Items(o);
    if (!items) return -1;
    int status = c->e->sort_keys ? PyList_Sort(items) : 0;
    for (Py_ssize_t i = 0; status == 0 && i < PyList_GET_SIZE(items); i++) {
        PyObject *item = PyList_GET_ITEM(items, i);
        if (PyTuple_Check(item) && PyTuple_GET_SIZE(item) == 2) {
            Py_INCREF(item);
            status = put_pair(c, PyTuple_GET_ITEM(item, 0), PyTuple_GET_ITEM(item, 1), first);
            Py_DECREF(item);
        }
        else {
            PyErr_SetString(PyExc_ValueError, "items must return 2-tuples");
            status = -1;
        }
    }
    Py_DECREF(items);
    return status;
}

static int put_pairs(Encoding *c, PyObject *o)
{
    bool first = true;
    int status = 0;
    if (text_put(&c->text, '{') < 0) return -1;
    if (c->e->sort_keys || !PyDict_CheckExact(o)) status = put_pairs_of(c, o, &first);
    else {
        PyObject *key, *value;
        Py_ssize_t position = 0;
        while (status == 0 && PyDict_Next(o, &position, &key, &value)) {
            Py_INCREF(key);
            Py_INCREF(value);
            status = put_pair(c, key, value, &first);
            Py_DECREF(key);
            Py_DECREF(value);
        }
    }
    return status < 0 || (!first && line_leave(c) < 0) ? -1 : text_put(&c->text, '}');
}

static int put_dict(Encoding *c, PyObject *o)
{
    Open open;
    if (PyDict_GET_SIZE(o) == 0) return text_put_ascii(&c->text, "{}", 2);
    if (open_object(c, &open, o) < 0) return -1;
    return close_object(c, &open, put_pairs(c, o));
}

/* What default() makes of any other object. */
static int put_other(Encoding *c, PyObject *o)
{
    Open open;
    if (open_object(c, &open, o) < 0) return -1;
    int status = -1;
    PyObject *other = c->e->markers != Py_None && markers_complete(c) < 0 ? NULL : PyObject_CallOneArg(c->e->default_function, o);
    if (other) {
        if (!Py_EnterRecursiveCall(" while encoding a JSON object")) {
            status = put_value(c, other);
            Py_LeaveRecursiveCall();
        }
        Py_DECREF(other);
    }
    return close_object(c, &open, status);
}

static int put_value(Encoding *c, PyObject *o)
{
    if (PyUnicode_Check(o)) return put_with(c, o);
    const char *word = constant_text(o);
    if (word) return text_put_ascii(&c->text, word, (Py_ssize_t)strlen(word));
    if (PyLong_Check(o)) return put_long(c, o);
    if (PyFloat_Check(o)) return put_float(c, o);
    int status;
    if (PyList_Check(o) || PyTuple_Check(o)) {
        if (Py_EnterRecursiveCall(" while encoding a JSON object")) return -1;
        status = put_list(c, o);
        Py_LeaveRecursiveCall();
        return status;
    }
    if (PyDict_Check(o)) {
        if (Py_EnterRecursiveCall(" while encoding a JSON object")) return -1;
        status = put_dict(c, o);
        Py_LeaveRecursiveCall();
        return status;
    }
    return put_other(c, o);
}

/* ---- Encoder ------------------------------------------------------------------------------------------------------------- */

SIGNATURE(encode_signature, "_iterencode", KEYWORDS, "(obj, _current_indent_level)");

/* ["\n" and the indentation of the level where the document stands] */
static PyObject *first_line(PyObject *indent, Py_ssize_t level)
{
    PyObject *line = PyUnicode_FromString("\n"), *lines = NULL;
    if (line && level) {
        PyObject *space = PySequence_Repeat(indent, level);
        Py_SETREF(line, space ? PyUnicode_Concat(line, space) : NULL);
        Py_XDECREF(space);
    }
    if (line && (lines = PyList_New(1))) {
        PyList_SET_ITEM(lines, 0, line);
        return lines;
    }
    Py_XDECREF(line);
    return NULL;
}

static PyObject *encoder_call(PyObject *self, PyObject *args, PyObject *kwargs)
{
    PyObject *arg[2], *text = NULL, *result = NULL;
    if (args_bind_tuple(&encode_signature, args, kwargs, arg) < 0) return NULL;
    Py_ssize_t level = PyNumber_AsSsize_t(arg[1], PyExc_OverflowError);
    if (level == -1 && PyErr_Occurred()) return NULL;
    Encoding c = { .e = ENCODER(self) };
    if (c.e->indent != Py_None && !(c.lines = first_line(c.e->indent, level))) return NULL;
    if (put_value(&c, arg[0]) == 0) text = text_finish(&c.text);
    text_drop(&c.text);
    Py_XDECREF(c.lines);
    if (text) result = PyTuple_Pack(1, text);
    Py_XDECREF(text);
    return result;
}

SIGNATURE(encoder_signature, "make_encoder", KEYWORDS,
          "(markers, default, encoder, indent, key_separator, item_separator, sort_keys, skipkeys, allow_nan)");

static PyObject *encoder_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *arg[9];
    int flags[3];
    if (args_bind_tuple(&encoder_signature, args, kwargs, arg) < 0) return NULL;
    for (int i = 4; i < 6; i++)
        if (!PyUnicode_Check(arg[i])) {
            PyErr_Format(PyExc_TypeError, "make_encoder() argument %d must be str, not %.50s", i + 1, arg[i] == Py_None ? "None" : Py_TYPE(arg[i])->tp_name);
            return NULL;
        }
    for (int i = 0; i < 3; i++) if ((flags[i] = PyObject_IsTrue(arg[6 + i])) < 0) return NULL;
    if (arg[0] != Py_None && !PyDict_Check(arg[0])) {
        PyErr_Format(PyExc_TypeError, "make_encoder() argument 1 must be dict or None, not %.200s", Py_TYPE(arg[0])->tp_name);
        return NULL;
    }
    Encoder *e = ENCODER(type->tp_alloc(type, 0));
    if (!e) return NULL;
    PyObject **field[] = { &e->markers, &e->default_function, &e->encoder, &e->indent, &e->key_separator, &e->item_separator };
    for (int i = 0; i < 6; i++) *field[i] = Py_NewRef(arg[i]);
    e->sort_keys = (char)flags[0];
    e->skipkeys = (char)flags[1];
    e->allow_nan = (char)flags[2];
    if (PyCFunction_Check(arg[2])) {
        PyCFunction function = PyCFunction_GET_FUNCTION(arg[2]);
        e->plain = function == json_encode_basestring ? 1 : function == json_encode_basestring_ascii ? 2 : 0;
    }
    return OBJECT(e);
}

static int encoder_traverse(PyObject *self, visitproc visit, void *arg)
{
    Encoder *e = ENCODER(self);
    VISIT_TYPE(self);
    Py_VISIT(e->markers);
    Py_VISIT(e->default_function);
    Py_VISIT(e->encoder);
    Py_VISIT(e->indent);
    Py_VISIT(e->key_separator);
    Py_VISIT(e->item_separator);
    return 0;
}

static int encoder_clear(PyObject *self)
{
    Encoder *e = ENCODER(self);
    Py_CLEAR(e->markers);
    Py_CLEAR(e->default_function);
    Py_CLEAR(e->encoder);
    Py_CLEAR(e->indent);
    Py_CLEAR(e->key_separator);
    Py_CLEAR(e->item_separator);
    return 0;
}

static void encoder_dealloc(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    encoder_clear(self);
    free_instance(self);
}

static PyMemberDef encoder_members[] = {
    { "markers", _Py_T_OBJECT, offsetof(Encoder, markers), Py_READONLY, "markers" },
    { "default", _Py_T_OBJECT, offsetof(Encoder, default_function), Py_READONLY, "default" },
    { "encoder", _Py_T_OBJECT, offsetof(Encoder, encoder), Py_READONLY, "encoder" },
    { "indent", _Py_T_OBJECT, offsetof(Encoder, indent), Py_READONLY, "indent" },
    { "key_separator", _Py_T_OBJECT, offsetof(Encoder, key_separator), Py_READONLY, "key_separator" },
    { "item_separator", _Py_T_OBJECT, offsetof(Encoder, item_separator), Py_READONLY, "item_separator" },
    { "sort_keys", Py_T_BOOL, offsetof(Encoder, sort_keys), Py_READONLY, "sort_keys" },
    { "skipkeys", Py_T_BOOL, offsetof(Encoder, skipkeys), Py_READONLY, "skipkeys" },
    { 0 },
};
static PyType_Slot encoder_slots[] = {
    SLOT(tp_doc, "Encoder(markers, default, encoder, indent, key_separator, item_separator, sort_keys, skipkeys, allow_nan)"),
    SLOT(tp_dealloc, encoder_dealloc), SLOT(tp_call, encoder_call), SLOT(tp_traverse, encoder_traverse), SLOT(tp_clear, encoder_clear),
    SLOT(tp_members, encoder_members), SLOT(tp_new, encoder_new), { 0, NULL },
};
PyType_Spec encoder_spec = { "_json.Encoder", sizeof(Encoder), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC, encoder_slots };

/* ---- the module ---------------------------------------------------------------------------------------------------------- */

BUILTIN_FAST(json, scanstring, "($module, string, end, strict=True, /)",
             "Read a JSON string from a document, behind its opening quote.\n\n"
             "Returns the decoded string and the index of the character behind its closing quote. Unless strict is\n"
             "true, control characters are allowed in the string.")
{
    if (nargs < 2 || nargs > 3) {
        PyErr_Format(PyExc_TypeError, "scanstring() takes at %s arguments (%zd given)", nargs < 2 ? "least 2" : "most 3", nargs);
        return NULL;
    }
    Py_ssize_t end = PyNumber_AsSsize_t(args[1], PyExc_OverflowError);
    if (end == -1 && PyErr_Occurred()) return NULL;
    int strict = nargs > 2 ? PyObject_IsTrue(args[2]) : 1;
    if (strict < 0) return NULL;
    if (!PyUnicode_Check(args[0])) {
        PyErr_Format(PyExc_TypeError, "first argument must be a string, not %.80s", Py_TYPE(args[0])->tp_name);
        return NULL;
    }
    PyObject *text = json_read_string(args[0], end, strict, &end);
    return text ? Py_BuildValue("(Nn)", text, end) : NULL;
}

static int json_exec(PyObject *module)
{
    JsonState *s = PyModule_GetState(module);
    if (!(s->scanner_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &scanner_spec, NULL)) ||
        !(s->encoder_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &encoder_spec, NULL))) return -1;
    if (PyModule_AddObjectRef(module, "make_scanner", OBJECT(s->scanner_type)) < 0) return -1;
    return PyModule_AddObjectRef(module, "make_encoder", OBJECT(s->encoder_type));
}

static int json_traverse(PyObject *module, visitproc visit, void *arg)
{
    JsonState *s = PyModule_GetState(module);
    Py_VISIT(s->scanner_type);
    Py_VISIT(s->encoder_type);
    return 0;
}

static int json_clear(PyObject *module)
{
    JsonState *s = PyModule_GetState(module);
    Py_CLEAR(s->scanner_type);
    Py_CLEAR(s->encoder_type);
    return 0;
}

static void json_free(void *module) { json_clear(module); }

static PyMethodDef json_methods[] = { METHOD(json, encode_basestring_ascii), METHOD(json, encode_basestring), METHOD_BARE(json, scanstring), { 0 } };
static PyModuleDef_Slot json_slots[] = { { Py_mod_exec, json_exec }, MODULE_SLOTS_COMMON, { 0, NULL } };

struct PyModuleDef json_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_json",
    .m_doc = "JSON: the inner loops of the json package.",
    .m_size = sizeof(JsonState),
    .m_methods = json_methods,
    .m_slots = json_slots,
    .m_traverse = json_traverse,
    .m_clear = json_clear,
    .m_free = json_free,
};

PyMODINIT_FUNC PyInit__json(void) { return PyModuleDef_Init(&json_module); }
