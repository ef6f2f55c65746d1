/* The class TreeBuilder, and the strings that documents repeat.
 *
 * Text waits in `data` (what Python code gave) and then `raw` (what expat gave, in UTF-8) until the next tag. */
#include "elementtree.h"

#include <string.h>

/* ---- strings ------------------------------------------------------------------------------------------------------------ */

enum { TABLE_FIRST = 64 };

static int table_grow(TextTable *table)
{
    size_t size = table->entries ? (table->mask + 1) * 2 : TABLE_FIRST;
    TextEntry *entries = PyMem_Calloc(size, sizeof *entries);
    if (!entries) return -1;
    for (size_t i = 0; table->entries && i <= table->mask; i++) {
        if (!table->entries[i].text) continue;
        size_t at = table->entries[i].hash & (size - 1);
        while (entries[at].text) at = (at + 1) & (size - 1);
        entries[at] = table->entries[i];
    }
    PyMem_Free(table->entries);
    table->entries = entries;
    table->mask = size - 1;
    return 0;
}

static PyObject *text_make(const char *s, size_t n, bool universal)
{
    if (!universal || !memchr(s, '}', n)) return PyUnicode_DecodeUTF8(s, (Py_ssize_t)n, "strict");
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)n + 1);
    if (!bytes) return NULL;
    PyBytes_AS_STRING(bytes)[0] = '{';
    memcpy(PyBytes_AS_STRING(bytes) + 1, s, n);
    PyObject *text = PyUnicode_DecodeUTF8(PyBytes_AS_STRING(bytes), (Py_ssize_t)n + 1, "strict");
    Py_DECREF(bytes);
    return text;
}

PyObject *text_table_get(TextTable *table, const char *s, size_t n, bool universal, size_t most)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < n; i++) hash = (hash ^ (unsigned char)s[i]) * 16777619u;
    hash ^= hash >> 15;
    if (table->entries) {
        for (size_t at = hash & table->mask; table->entries[at].text; at = (at + 1) & table->mask) {
            TextEntry *entry = &table->entries[at];
            if (entry->hash == hash && entry->length == n && memcmp(entry->utf8, s, n) == 0) return Py_NewRef(entry->text);
        }
    }
    PyObject *text = text_make(s, n, universal);
    if (!text || table->count >= most || n > UINT32_MAX) return text;
    if ((!table->entries || table->count * 2 > table->mask) && table_grow(table) < 0) return text;
    Py_ssize_t length;
    const char *utf8 = PyUnicode_AsUTF8AndSize(text, &length);
    if (!utf8) {
        Py_DECREF(text);
        return NULL;
    }
    size_t at = hash & table->mask;
    while (table->entries[at].text) at = (at + 1) & table->mask;
    table->entries[at] = (TextEntry){ hash, (uint32_t)n, utf8 + ((size_t)length - n), Py_NewRef(text) };
    table->count++;
    return text;
}

void text_table_clear(TextTable *table)
{
    TextTable old = *table;
    *table = (TextTable){ 0 };
    for (size_t i = 0; old.entries && i <= old.mask; i++) Py_XDECREF(old.entries[i].text);
    PyMem_Free(old.entries);
}

/* ---- text ---------------------------------------------------------------------------------------------------------------- */

enum { BLANKS_MAX = 256, BLANK_LENGTH = 64 };

static PyObject *raw_text(Builder *b)
{
    const char *s = b->raw;
    size_t n = b->raw_length;
    b->raw_length = 0;
    if (n <= BLANK_LENGTH) {
        size_t i = 0;
        while (i < n && (s[i] == ' ' || s[i] == '\n' || s[i] == '\t')) i++;
        if (i == n) return text_table_get(&b->blanks, s, n, false, BLANKS_MAX);
    }
    return PyUnicode_DecodeUTF8(s, (Py_ssize_t)n, "strict");
}

static int data_add(Builder *b, PyObject *data)
{
    if (!b->data) {
        b->data = Py_NewRef(data);
        return 0;
    }
    if (PyList_CheckExact(b->data)) return PyList_Append(b->data, data);
    PyObject *list = PyList_New(2);
    if (!list) return -1;
    PyList_SET_ITEM(list, 0, b->data);
    PyList_SET_ITEM(list, 1, Py_NewRef(data));
    b->data = list;
    return 0;
}

static int raw_to_data(Builder *b)
{
    if (!b->raw_length) return 0;
    PyObject *text = raw_text(b);
    int status = text ? data_add(b, text) : -1;
    Py_XDECREF(text);
    return status;
}

int builder_handle_data(Builder *b, PyObject *data)
{
    if (!b->last) return 0;                   /* before the first tag */
    if (raw_to_data(b) < 0) return -1;
    /* A list of someone's own is not ours to add to. */
    if (!b->data && PyList_CheckExact(data)) {
        PyObject *list = PyList_New(1);
        if (!list) return -1;
        PyList_SET_ITEM(list, 0, Py_NewRef(data));
        b->data = list;
        return 0;
    }
    return data_add(b, data);
}

int builder_handle_raw(Builder *b, const char *s, size_t n)
{
    if (!b->last) return 0;
    if (UNLIKELY(n > b->raw_size - b->raw_length)) {
        if (n > PY_SSIZE_T_MAX / 4 - b->raw_length) goto fail;
        size_t size = (b->raw_length + n) * 2 + 256;
        char *raw = PyMem_Realloc(b->raw, size);
        if (!raw) goto fail;
        b->raw = raw;
        b->raw_size = size;
    }
    memcpy(b->raw + b->raw_length, s, n);
    b->raw_length += n;
    return 0;
fail:
    PyErr_NoMemory();
    return -1;
}

/* The waiting text as one object. NEW; NULL without exception: there is none. */
static PyObject *data_take(Builder *b)
{
    if (LIKELY(!b->data)) return b->raw_length ? raw_text(b) : NULL;
    if (raw_to_data(b) < 0) return NULL;
    PyObject *data = b->data;
    b->data = NULL;
    if (!PyList_CheckExact(data)) return data;
    PyObject *empty = PyUnicode_New(0, 0), *text = empty ? PyUnicode_Join(empty, data) : NULL;
    Py_XDECREF(empty);
    Py_DECREF(data);
    return text;
}

/* Gives the waiting text to the element it belongs to, after what it has already. */
static int builder_flush(Builder *b)
{
    if (!b->raw_length && !b->data) return 0;
    PyObject *text = data_take(b);
    if (!text) return PyErr_Occurred() ? -1 : 0;
    PyObject *element = b->last_for_tail ? b->last_for_tail : b->last;
    if (!element) {
        Py_DECREF(text);
        return 0;
    }
    if (LIKELY(Py_IS_TYPE(element, b->state->element))) {
        PyObject **place = b->last_for_tail ? &ELEMENT(element)->tail : &ELEMENT(element)->text;
        if (LIKELY(*place == Py_None)) {
            *place = text;
            return 0;
        }
    }
    Py_INCREF(element);
    const char *name = b->last_for_tail ? "tail" : "text";
    PyObject *before = PyObject_GetAttrString(element, name);
    if (before && before != Py_None) Py_SETREF(text, PyNumber_Add(before, text));
    int status = before && text ? PyObject_SetAttrString(element, name, text) : -1;
    Py_XDECREF(before);
    Py_XDECREF(text);
    Py_DECREF(element);
    return status;
}

/* ---- tags ------------------------------------------------------------------------------------------------------------------ */

int builder_event(Builder *b, PyObject *event, PyObject *node)
{
    if (!event || !b->events_append) return 0;
    PyObject *pair = PyTuple_Pack(2, event, node), *append = Py_NewRef(b->events_append), *result = NULL;
    if (pair) result = PyObject_CallOneArg(append, pair);
    Py_DECREF(append);
    Py_XDECREF(pair);
    Py_XDECREF(result);
    return result ? 0 : -1;
}

static int add_child(Builder *b, PyObject *parent, PyObject *child)
{
    if (LIKELY(Py_IS_TYPE(parent, b->state->element))) return element_require(b->state, child) < 0 ? -1 : element_add(parent, child);
    Py_INCREF(parent);
    PyObject *result = PyObject_CallMethod(parent, "append", "O", child);
    Py_DECREF(parent);
    Py_XDECREF(result);
    return result ? 0 : -1;
}

static PyObject *make_node(Builder *b, PyObject *tag, PyObject *attrib)
{
    if (LIKELY(!b->element_factory)) return element_make(b->state, tag, attrib && PyDict_GET_SIZE(attrib) ? attrib : NULL);
    PyObject *dict = attrib ? Py_NewRef(attrib) : PyDict_New(), *factory = Py_NewRef(b->element_factory), *node = NULL;
    if (dict) node = PyObject_CallFunctionObjArgs(factory, tag, dict, NULL);
    Py_DECREF(factory);
    Py_XDECREF(dict);
    return node;
}

static int stack_push(Builder *b)
{
    if (b->depth == b->stack_size) {
        Py_ssize_t size = b->stack_size * 2 + 16;
        PyObject **stack = PyMem_Realloc(b->stack, (size_t)size * sizeof *stack);
        if (!stack) {
            PyErr_NoMemory();
            return -1;
        }
        b->stack = stack;
        b->stack_size = size;
    }
    b->stack[b->depth++] = b->current;        /* with its reference */
    b->current = NULL;
    return 0;
}

PyObject *builder_handle_start(Builder *b, PyObject *tag, PyObject *attrib)
{
    if (builder_flush(b) < 0) return NULL;
    PyObject *node = make_node(b, tag, attrib);
    if (!node) return NULL;
    Py_CLEAR(b->last_for_tail);
    if (b->current) {
        if (add_child(b, b->current, node) < 0) goto fail;
    }
    else if (b->root) {
        PyErr_SetString(b->state->parse_error, "multiple elements on top level");
        goto fail;
    }
    else b->root = Py_NewRef(node);
    if (stack_push(b) < 0) goto fail;
    b->current = Py_NewRef(node);
    Py_XSETREF(b->last, Py_NewRef(node));
    if (builder_event(b, b->start_event, node) < 0) goto fail;
    return node;
fail:
    Py_DECREF(node);
    return NULL;
}

PyObject *builder_handle_end(Builder *b)
{
    if (builder_flush(b) < 0) return NULL;
    if (b->depth == 0) {
        PyErr_SetString(PyExc_IndexError, "pop from empty stack");
        return NULL;
    }
    PyObject *closed = b->current ? b->current : Py_NewRef(Py_None);
    b->current = b->stack[--b->depth];
    Py_INCREF(closed);
    Py_XSETREF(b->last, closed);
    Py_INCREF(closed);
    Py_XSETREF(b->last_for_tail, closed);
    if (builder_event(b, b->end_event, closed) < 0) Py_CLEAR(closed);
    return closed;
}

/* A node that has no content: it gets the text after it as its tail, when it is put into the tree. */
static int single(Builder *b, PyObject *node, bool insert, PyObject *event)
{
    if (insert && b->current) {
        if (add_child(b, b->current, node) < 0) return -1;
        Py_XSETREF(b->last_for_tail, Py_NewRef(node));
    }
    return builder_event(b, event, node);
}

PyObject *builder_handle_comment(Builder *b, PyObject *text)
{
    if (builder_flush(b) < 0) return NULL;
    PyObject *factory = Py_XNewRef(b->comment_factory), *node = factory ? PyObject_CallOneArg(factory, text) : Py_NewRef(text);
    if (node && single(b, node, factory && b->insert_comments, b->comment_event) < 0) Py_CLEAR(node);
    Py_XDECREF(factory);
    return node;
}

PyObject *builder_handle_pi(Builder *b, PyObject *target, PyObject *text)
{
    if (builder_flush(b) < 0) return NULL;
    PyObject *factory = Py_XNewRef(b->pi_factory);
    PyObject *node = factory ? PyObject_CallFunctionObjArgs(factory, target, text, NULL) : PyTuple_Pack(2, target, text);
    if (node && single(b, node, factory && b->insert_pis, b->pi_event) < 0) Py_CLEAR(node);
    Py_XDECREF(factory);
    return node;
}

PyObject *builder_done(Builder *b) { return Py_NewRef(b->root ? b->root : Py_None); }

/* ---- the class ---------------------------------------------------------------------------------------------------------------- */

PyObject *builder_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *module = PyType_GetModuleByDef(type, &elementtree_definition);
    Builder *b = module ? BUILDER(type->tp_alloc(type, 0)) : NULL;
    if (!b) return NULL;
    b->module = Py_NewRef(module);
    b->state = tree_state(module);
    return OBJECT(b);
}

SIGNATURE(builder_init_signature, "TreeBuilder", KEYWORDS,
          "(element_factory=None, *, comment_factory=None, pi_factory=None, insert_comments=False, insert_pis=False)");

static int builder_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    Builder *b = BUILDER(self);
    PyObject *arg[5];
    if (args_bind_tuple(&builder_init_signature, args, kwargs, arg) < 0) return -1;
    int comments = arg[3] ? PyObject_IsTrue(arg[3]) : 0, pis = comments >= 0 && arg[4] ? PyObject_IsTrue(arg[4]) : 0;
    if (comments < 0 || pis < 0) return -1;
    b->insert_comments = comments;
    b->insert_pis = pis;
    SET_FIELD(b->element_factory, arg[0] && arg[0] != Py_None ? Py_NewRef(arg[0]) : NULL);
    SET_FIELD(b->comment_factory, Py_XNewRef(arg[1] && arg[1] != Py_None ? arg[1] : b->state->comment_factory));
    SET_FIELD(b->pi_factory, Py_XNewRef(arg[2] && arg[2] != Py_None ? arg[2] : b->state->pi_factory));
    return 0;
}

static int builder_traverse(PyObject *self, visitproc visit, void *arg)
{
    Builder *b = BUILDER(self);
    VISIT_TYPE(self);
    Py_VISIT(b->module);
    Py_VISIT(b->root);
    Py_VISIT(b->current);
    Py_VISIT(b->last);
    Py_VISIT(b->last_for_tail);
    Py_VISIT(b->data);
    for (Py_ssize_t i = 0; i < b->depth; i++) Py_VISIT(b->stack[i]);
    Py_VISIT(b->element_factory);
    Py_VISIT(b->comment_factory);
    Py_VISIT(b->pi_factory);
    Py_VISIT(b->events_append);
    Py_VISIT(b->start_event);
    Py_VISIT(b->end_event);
    Py_VISIT(b->start_ns_event);
    Py_VISIT(b->end_ns_event);
    Py_VISIT(b->comment_event);
    Py_VISIT(b->pi_event);
    return 0;
}

/* All but the module, which methods of a cleared builder still need. */
static int builder_clear(PyObject *self)
{
    Builder *b = BUILDER(self);
    Py_CLEAR(b->pi_event);
    Py_CLEAR(b->comment_event);
    Py_CLEAR(b->end_ns_event);
    Py_CLEAR(b->start_ns_event);
    Py_CLEAR(b->end_event);
    Py_CLEAR(b->start_event);
    Py_CLEAR(b->events_append);
    Py_CLEAR(b->pi_factory);
    Py_CLEAR(b->comment_factory);
    Py_CLEAR(b->element_factory);
    while (b->depth > 0) {
        b->depth--;
        Py_XDECREF(b->stack[b->depth]);
    }
    Py_CLEAR(b->data);
    Py_CLEAR(b->last_for_tail);
    Py_CLEAR(b->last);
    Py_CLEAR(b->current);
    Py_CLEAR(b->root);
    return 0;
}

static void builder_dealloc(PyObject *self)
{
    Builder *b = BUILDER(self);
    PyObject_GC_UnTrack(self);
    builder_clear(self);
    text_table_clear(&b->blanks);
    PyMem_Free(b->raw);
    PyMem_Free(b->stack);
    Py_XDECREF(b->module);
    free_instance(self);
}

BUILTIN_O(builder, data, "($self, data, /)", "Text of the current element, or after the last one.")
{
    if (builder_handle_data(BUILDER(self), arg) < 0) return NULL;
    Py_RETURN_NONE;
}

BUILTIN(builder, start, POSITIONAL, "($self, tag, attrs, /)", "Open a new element.")
{
    if (PyDict_Check(arg[1])) return builder_handle_start(BUILDER(self), arg[0], arg[1]);
    return PyErr_Format(PyExc_TypeError, "start() argument 2 must be dict, not %.50s", arg[1] == Py_None ? "None" : Py_TYPE(arg[1])->tp_name);
}

BUILTIN_O(builder, end, "($self, tag, /)", "Close the current element.") { return builder_handle_end(BUILDER(self)); }
BUILTIN_O(builder, comment, "($self, text, /)", "Make a comment.") { return builder_handle_comment(BUILDER(self), arg); }

BUILTIN(builder, pi, POSITIONAL, "($self, target, text=None, /)", "Make a processing instruction.")
{
    return builder_handle_pi(BUILDER(self), arg[0], arg[1] ? arg[1] : Py_None);
}

BUILTIN_NOARGS(builder, close, "($self, /)", "The tree's root.") { return builder_done(BUILDER(self)); }

static PyMethodDef builder_methods[] = {
    METHOD(builder, data), METHOD(builder, start), METHOD(builder, end), METHOD(builder, comment), METHOD(builder, pi), METHOD(builder, close), { 0 }
};
static PyType_Slot builder_slots[] = {
    SLOT(tp_dealloc, builder_dealloc), SLOT(tp_traverse, builder_traverse), SLOT(tp_clear, builder_clear), SLOT(tp_methods, builder_methods),
    SLOT(tp_init, builder_init), SLOT(tp_new, builder_new), { 0 }
};
PyType_Spec builder_spec = {
    .name = "xml.etree.ElementTree.TreeBuilder", .basicsize = sizeof(Builder), .slots = builder_slots,
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
};
