/* The class XMLParser: expat's events, for a TreeBuilder without a detour and for other targets through their methods.
 *
 * While expat runs the parser is busy: methods that would enter expat again raise. A handler that raises makes the later ones of
 * the same chunk do nothing. */
#include "elementtree.h"

#include <limits.h>
#include <string.h>

typedef struct Parser {
    PyObject_HEAD
    TreeState *state;
    PyObject *module;                         /* keeps state alive */
    XML_Parser expat;                         /* NULL: __init__ was not called */
    PyObject *target, *entity;
    TextTable names;
    PyObject *start_ns, *end_ns, *start, *data, *end, *comment, *pi, *close, *doctype;   /* methods of the target, or NULL */
    bool busy;
} Parser;

#define PARSER(o) ((Parser *)(o))

enum { NAMES_MAX = 1 << 20, CHUNK = 64 * 1024 };

/* ---- handlers ------------------------------------------------------------------------------------------------------------- */

static inline Builder *builder_of(Parser *p) { return LIKELY(p->target && Py_IS_TYPE(p->target, p->state->builder)) ? BUILDER(p->target) : NULL; }

static inline PyObject *name_get(Parser *p, const char *s) { return text_table_get(&p->names, s, strlen(s), true, NAMES_MAX); }
static inline PyObject *text_get(const char *s) { return PyUnicode_DecodeUTF8(s, (Py_ssize_t)strlen(s), "strict"); }

static void error_set(Parser *p, int code, XML_Size line, XML_Size column, PyObject *message)
{
    PyObject *text = message ? PyUnicode_FromFormat("%U: line %zu, column %zu", message, (size_t)line, (size_t)column)
                             : PyUnicode_FromFormat("%s: line %zu, column %zu", p->state->expat->ErrorString((enum XML_Error)code), (size_t)line, (size_t)column);
    PyObject *error = text ? PyObject_CallOneArg(p->state->parse_error, text) : NULL, *number = NULL, *position = NULL;
    Py_XDECREF(text);
    if (error && (number = PyLong_FromLong(code)) && PyObject_SetAttrString(error, "code", number) == 0
        && (position = Py_BuildValue("(nn)", (Py_ssize_t)line, (Py_ssize_t)column)) && PyObject_SetAttrString(error, "position", position) == 0)
        PyErr_SetObject(p->state->parse_error, error);
    Py_XDECREF(number);
    Py_XDECREF(position);
    Py_XDECREF(error);
}

/* Calls a method of the target and forgets the result. Steals the arguments, which may be NULL: then nothing is called. */
static void target_call(PyObject *method, PyObject *a, PyObject *b, PyObject *c, int n)
{
    PyObject *args[3] = { a, b, c };
    bool fine = true;
    for (int i = 0; i < n; i++) fine &= args[i] != NULL;
    if (fine) {
        Py_INCREF(method);
        Py_XDECREF(PyObject_Vectorcall(method, args, (size_t)n, NULL));
        Py_DECREF(method);
    }
    for (int i = 0; i < n; i++) Py_XDECREF(args[i]);
}

static PyObject *attributes(Parser *p, const XML_Char **pairs)
{
    PyObject *dict = PyDict_New();
    for (; dict && pairs[0]; pairs += 2) {
        PyObject *key = name_get(p, pairs[0]), *value = key ? text_get(pairs[1]) : NULL;
        if (!value || PyDict_SetItem(dict, key, value) < 0) Py_CLEAR(dict);
        Py_XDECREF(key);
        Py_XDECREF(value);
    }
    return dict;
}

static void XMLCALL on_start(void *data, const XML_Char *tag, const XML_Char **pairs)
{
    Parser *p = data;
    if (UNLIKELY(PyErr_Occurred() != NULL)) return;
    Builder *b = builder_of(p);
    if (!b && !p->start) return;
    PyObject *name = name_get(p, tag), *attrib = NULL;
    if (!name) return;
    if ((pairs[0] || !b) && !(attrib = attributes(p, pairs))) {
        Py_DECREF(name);
        return;
    }
    if (!b) {
        target_call(p->start, name, attrib, NULL, 2);
        return;
    }
    Py_XDECREF(builder_handle_start(b, name, attrib));
    Py_DECREF(name);
    Py_XDECREF(attrib);
}

static void XMLCALL on_end(void *data, const XML_Char *tag)
{
    Parser *p = data;
    if (UNLIKELY(PyErr_Occurred() != NULL)) return;
    Builder *b = builder_of(p);
    if (b) Py_XDECREF(builder_handle_end(b));
    else if (p->end) target_call(p->end, name_get(p, tag), NULL, NULL, 1);
}

static void XMLCALL on_data(void *data, const XML_Char *s, int n)
{
    Parser *p = data;
    if (UNLIKELY(PyErr_Occurred() != NULL)) return;
    Builder *b = builder_of(p);
    if (b) builder_handle_raw(b, s, (size_t)n);
    else if (p->data) target_call(p->data, PyUnicode_DecodeUTF8(s, n, "strict"), NULL, NULL, 1);
}

static void XMLCALL on_start_ns(void *data, const XML_Char *prefix, const XML_Char *uri)
{
    Parser *p = data;
    if (PyErr_Occurred()) return;
    Builder *b = builder_of(p);
    if (b ? !b->start_ns_event : !p->start_ns) return;
    PyObject *prefix_text = text_get(prefix ? prefix : ""), *uri_text = text_get(uri ? uri : "");
    if (!b) {
        target_call(p->start_ns, prefix_text, uri_text, NULL, 2);
        return;
    }
    PyObject *pair = prefix_text && uri_text ? PyTuple_Pack(2, prefix_text, uri_text) : NULL;
    if (pair) builder_event(b, b->start_ns_event, pair);
    Py_XDECREF(pair);
    Py_XDECREF(prefix_text);
    Py_XDECREF(uri_text);
}

static void XMLCALL on_end_ns(void *data, const XML_Char *prefix)
{
    Parser *p = data;
    if (PyErr_Occurred()) return;
    Builder *b = builder_of(p);
    if (b) builder_event(b, b->end_ns_event, Py_None);
    else if (p->end_ns) target_call(p->end_ns, text_get(prefix ? prefix : ""), NULL, NULL, 1);
}

static void XMLCALL on_comment(void *data, const XML_Char *s)
{
    Parser *p = data;
    if (PyErr_Occurred()) return;
    Builder *b = builder_of(p);
    if (!b && !p->comment) return;
    PyObject *text = text_get(s);
    if (!b) target_call(p->comment, text, NULL, NULL, 1);
    else if (text) {
        Py_XDECREF(builder_handle_comment(b, text));
        Py_DECREF(text);
    }
}

static void XMLCALL on_pi(void *data, const XML_Char *target, const XML_Char *s)
{
    Parser *p = data;
    if (PyErr_Occurred()) return;
    Builder *b = builder_of(p);
    if (b ? !b->insert_pis && !(b->events_append && b->pi_event) : !p->pi) return;
    PyObject *name = text_get(target), *text = name ? text_get(s ? s : "") : NULL;
    if (!b) {
        target_call(p->pi, name, text, NULL, 2);
        return;
    }
    if (text) Py_XDECREF(builder_handle_pi(b, name, text));
    Py_XDECREF(name);
    Py_XDECREF(text);
}

/* Whatever has no handler: of interest are entities that expat does not know. */
static void XMLCALL on_default(void *data, const XML_Char *s, int n)
{
    Parser *p = data;
    if (n < 2 || s[0] != '&' || PyErr_Occurred()) return;
    PyObject *key = PyUnicode_DecodeUTF8(s + 1, n - 2, "strict"), *entity = Py_XNewRef(p->entity);
    PyObject *value = key && entity ? Py_XNewRef(PyDict_GetItemWithError(entity, key)) : NULL;
    if (value) {
        Builder *b = builder_of(p);
        if (b) builder_handle_data(b, value);
        else if (p->data) target_call(p->data, Py_NewRef(value), NULL, NULL, 1);
        Py_DECREF(value);
    }
    else if (!PyErr_Occurred()) {
        PyObject *name = PyUnicode_DecodeUTF8(s, n, "strict"), *message = name ? PyUnicode_FromFormat("undefined entity %U", name) : NULL;
        const struct PyExpat_CAPI *expat = p->state->expat;
        if (message) error_set(p, XML_ERROR_UNDEFINED_ENTITY, expat->GetErrorLineNumber(p->expat), expat->GetErrorColumnNumber(p->expat), message);
        Py_XDECREF(name);
        Py_XDECREF(message);
    }
    Py_XDECREF(key);
    Py_XDECREF(entity);
}

static PyObject *text_or_none(const char *s) { return s ? text_get(s) : Py_NewRef(Py_None); }

static void XMLCALL on_doctype(void *data, const XML_Char *name, const XML_Char *system_id, const XML_Char *public_id, int has_subset)
{
    Parser *p = data;
    if (PyErr_Occurred()) return;
    if (p->doctype) {
        target_call(p->doctype, text_get(name), text_or_none(public_id), text_or_none(system_id), 3);
        return;
    }
    PyObject *method;
    if (PyObject_GetOptionalAttrString(OBJECT(p), "doctype", &method) <= 0) return;
    Py_DECREF(method);
    PyErr_WarnEx(PyExc_RuntimeWarning, "The doctype() method of XMLParser is ignored.  Define doctype() method on the TreeBuilder target.", 1);
}

/* ---- life ------------------------------------------------------------------------------------------------------------------- */

static PyObject *parser_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *module = PyType_GetModuleByDef(type, &elementtree_definition);
    Parser *p = module ? PARSER(type->tp_alloc(type, 0)) : NULL;
    if (!p) return NULL;
    p->module = Py_NewRef(module);
    p->state = tree_state(module);
    return OBJECT(p);
}

static int not_busy(Parser *p)
{
    if (LIKELY(!p->busy)) return 0;
    PyErr_SetString(PyExc_RuntimeError, "the XMLParser is parsing already");
    return -1;
}

static int ready(Parser *p)
{
    if (LIKELY(p->expat != NULL)) return not_busy(p);
    PyErr_SetString(PyExc_ValueError, "XMLParser.__init__() wasn't called");
    return -1;
}

static int parser_clear(PyObject *self)
{
    Parser *p = PARSER(self);
    Py_CLEAR(p->start_ns);
    Py_CLEAR(p->end_ns);
    Py_CLEAR(p->start);
    Py_CLEAR(p->data);
    Py_CLEAR(p->end);
    Py_CLEAR(p->comment);
    Py_CLEAR(p->pi);
    Py_CLEAR(p->close);
    Py_CLEAR(p->doctype);
    Py_CLEAR(p->target);
    Py_CLEAR(p->entity);
    return 0;
}

static void handlers_set(Parser *p)
{
    const struct PyExpat_CAPI *expat = p->state->expat;
    expat->SetUserData(p->expat, p);
    if (p->start_ns || p->end_ns) expat->SetNamespaceDeclHandler(p->expat, on_start_ns, on_end_ns);
    expat->SetElementHandler(p->expat, on_start, on_end);
    expat->SetDefaultHandlerExpand(p->expat, on_default);
    expat->SetCharacterDataHandler(p->expat, on_data);
    if (p->comment) expat->SetCommentHandler(p->expat, on_comment);
    if (p->pi) expat->SetProcessingInstructionHandler(p->expat, on_pi);
    expat->SetStartDoctypeDeclHandler(p->expat, on_doctype);
    expat->SetUnknownEncodingHandler(p->expat, expat->DefaultUnknownEncodingHandler, NULL);
}

static int methods_find(PyObject *target, Parser *found)
{
    struct { const char *name; PyObject **place; } methods[] = {
        { "start_ns", &found->start_ns }, { "end_ns", &found->end_ns }, { "start", &found->start }, { "data", &found->data }, { "end", &found->end },
        { "comment", &found->comment }, { "pi", &found->pi }, { "close", &found->close }, { "doctype", &found->doctype },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(methods); i++)
        if (PyObject_GetOptionalAttrString(target, methods[i].name, methods[i].place) < 0) return -1;
    return 0;
}

SIGNATURE(parser_init_signature, "XMLParser", KEYWORDS, "(*, target=None, encoding=None)");

static const XML_Memory_Handling_Suite memory = { PyObject_Malloc, PyObject_Realloc, PyObject_Free };

static int parser_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    Parser *p = PARSER(self), found = { .expat = NULL };
    PyObject *arg[2], *target = NULL, *entity = NULL;
    if (args_bind_tuple(&parser_init_signature, args, kwargs, arg) < 0) return -1;
    const char *encoding = NULL;
    if (arg[1] && arg[1] != Py_None) {
        if (!PyUnicode_Check(arg[1])) {
            PyErr_Format(PyExc_TypeError, "XMLParser() argument 'encoding' must be str or None, not %.50s", Py_TYPE(arg[1])->tp_name);
            return -1;
        }
        Py_ssize_t n;
        if (!(encoding = PyUnicode_AsUTF8AndSize(arg[1], &n))) return -1;
        if (strlen(encoding) != (size_t)n) {
            PyErr_SetString(PyExc_ValueError, "embedded null character");
            return -1;
        }
    }
    if (arg[0] && arg[0] != Py_None) target = Py_NewRef(arg[0]);
    else target = builder_new(p->state->builder, NULL, NULL);
    if (!target || !(entity = PyDict_New()) || methods_find(target, &found) < 0 || not_busy(p) < 0) goto fail;
    const struct PyExpat_CAPI *expat = p->state->expat;
    if (!(found.expat = expat->ParserCreate_MM(encoding, &memory, "}"))) {
        PyErr_NoMemory();
        goto fail;
    }
    if (expat->SetHashSalt) {                 /* differs from run to run as the hash of a str does */
        PyObject *seed = PyUnicode_FromString("expat");
        if (seed) expat->SetHashSalt(found.expat, (unsigned long)PyObject_Hash(seed));
        Py_XDECREF(seed);
        if (!seed) {
            expat->ParserFree(found.expat);
            goto fail;
        }
    }
    XML_Parser old = p->expat;
    p->expat = NULL;
    if (old) expat->ParserFree(old);
    parser_clear(self);
    p->target = target;
    p->entity = entity;
    p->start_ns = found.start_ns;
    p->end_ns = found.end_ns;
    p->start = found.start;
    p->data = found.data;
    p->end = found.end;
    p->comment = found.comment;
    p->pi = found.pi;
    p->close = found.close;
    p->doctype = found.doctype;
    p->expat = found.expat;
    handlers_set(p);
    return 0;
fail:
    Py_XDECREF(target);
    Py_XDECREF(entity);
    Py_XDECREF(found.start_ns);
    Py_XDECREF(found.end_ns);
    Py_XDECREF(found.start);
    Py_XDECREF(found.data);
    Py_XDECREF(found.end);
    Py_XDECREF(found.comment);
    Py_XDECREF(found.pi);
    Py_XDECREF(found.close);
    Py_XDECREF(found.doctype);
    return -1;
}

static int parser_traverse(PyObject *self, visitproc visit, void *arg)
{
    Parser *p = PARSER(self);
    VISIT_TYPE(self);
    Py_VISIT(p->module);
    Py_VISIT(p->start_ns);
    Py_VISIT(p->end_ns);
    Py_VISIT(p->start);
    Py_VISIT(p->data);
    Py_VISIT(p->end);
    Py_VISIT(p->comment);
    Py_VISIT(p->pi);
    Py_VISIT(p->close);
    Py_VISIT(p->doctype);
    Py_VISIT(p->target);
    Py_VISIT(p->entity);
    return 0;
}

static void parser_dealloc(PyObject *self)
{
    Parser *p = PARSER(self);
    PyObject_GC_UnTrack(self);
    XML_Parser expat = p->expat;
    p->expat = NULL;
    if (expat) p->state->expat->ParserFree(expat);
    parser_clear(self);
    text_table_clear(&p->names);
    Py_XDECREF(p->module);
    free_instance(self);
}

/* ---- parsing ---------------------------------------------------------------------------------------------------------------- */

static int parse_chunk(Parser *p, const char *s, size_t n, bool final)
{
    if (ready(p) < 0) return -1;
    const struct PyExpat_CAPI *expat = p->state->expat;
    Py_INCREF(p);                             /* a handler may drop the last reference */
    p->busy = true;
    enum XML_Status status = expat->Parse(p->expat, s, (int)n, final);
    p->busy = false;
    int result = 0;
    if (PyErr_Occurred()) result = -1;
    else if (status != XML_STATUS_OK) {
        error_set(p, (int)expat->GetErrorCode(p->expat), expat->GetErrorLineNumber(p->expat), expat->GetErrorColumnNumber(p->expat), NULL);
        result = -1;
    }
    Py_DECREF(p);
    return result;
}

static PyObject *parsed(int status)
{
    if (status < 0) return NULL;
    Py_RETURN_NONE;
}

BUILTIN_O(parser, feed, "($self, data, /)", "Parse a piece of the document.")
{
    Parser *p = PARSER(self);
    if (ready(p) < 0) return NULL;
    if (PyUnicode_Check(arg)) {
        Py_ssize_t n;
        const char *s = PyUnicode_AsUTF8AndSize(arg, &n);
        if (!s) return NULL;
        if (n > INT_MAX) return PyErr_Format(PyExc_OverflowError, "size does not fit in an int");
        p->state->expat->SetEncoding(p->expat, "utf-8");     /* whatever the document says */
        return parsed(parse_chunk(p, s, (size_t)n, false));
    }
    Py_buffer view;
    if (PyObject_GetBuffer(arg, &view, PyBUF_SIMPLE) < 0) return NULL;
    PyObject *result = NULL;
    if (view.len > INT_MAX) PyErr_SetString(PyExc_OverflowError, "size does not fit in an int");
    else result = parsed(parse_chunk(p, view.buf, (size_t)view.len, false));
    PyBuffer_Release(&view);
    return result;
}

BUILTIN_NOARGS(parser, close, "($self, /)", "The document ends. What the target's close() gives, or the tree.")
{
    Parser *p = PARSER(self);
    if (parse_chunk(p, "", 0, true) < 0) return NULL;
    Builder *b = builder_of(p);
    if (b) return builder_done(b);
    if (!p->close) Py_RETURN_NONE;
    PyObject *close = Py_NewRef(p->close), *result = PyObject_CallNoArgs(close);
    Py_DECREF(close);
    return result;
}

BUILTIN_NOARGS(parser, flush, "($self, /)", "Parse all that was fed, even if expat would wait for more.")
{
    Parser *p = PARSER(self);
    if (ready(p) < 0) return NULL;
    const struct PyExpat_CAPI *expat = p->state->expat;
    if (!expat->SetReparseDeferralEnabled) Py_RETURN_NONE;
    expat->SetReparseDeferralEnabled(p->expat, XML_FALSE);
    int status = parse_chunk(p, "", 0, false);
    if (p->expat) expat->SetReparseDeferralEnabled(p->expat, XML_TRUE);
    return parsed(status);
}

/* The next piece of a file as bytes. NEW; NULL at the end, or with an exception. */
static PyObject *read_bytes(PyObject *read)
{
    PyObject *data = PyObject_CallFunction(read, "i", CHUNK);
    if (data && PyUnicode_CheckExact(data)) {
        if (PyUnicode_GET_LENGTH(data) == 0) Py_CLEAR(data);
        else Py_SETREF(data, PyUnicode_AsEncodedString(data, "utf-8", "surrogatepass"));
    }
    else if (data && (!PyBytes_CheckExact(data) || PyBytes_GET_SIZE(data) == 0)) Py_CLEAR(data);
    return data;
}

BUILTIN_O(parser, _parse_whole, "($self, file, /)", "Parse a file to its end.")
{
    Parser *p = PARSER(self);
    if (ready(p) < 0) return NULL;
    PyObject *read = PyObject_GetAttrString(arg, "read"), *data;
    if (!read) return NULL;
    int status = 0;
    while (status == 0 && (data = read_bytes(read))) {
        if (PyBytes_GET_SIZE(data) > INT_MAX) {
            PyErr_SetString(PyExc_OverflowError, "size does not fit in an int");
            status = -1;
        }
        else status = parse_chunk(p, PyBytes_AS_STRING(data), (size_t)PyBytes_GET_SIZE(data), false);
        Py_DECREF(data);
    }
    Py_DECREF(read);
    if (status < 0 || PyErr_Occurred() || parse_chunk(p, "", 0, true) < 0) return NULL;
    Builder *b = builder_of(p);
    if (b) return builder_done(b);
    Py_RETURN_NONE;
}

static int event_set(Parser *p, Builder *b, PyObject *event)
{
    const struct PyExpat_CAPI *expat = p->state->expat;
    const char *name = PyUnicode_Check(event) ? PyUnicode_AsUTF8(event) : PyBytes_Check(event) ? PyBytes_AS_STRING(event) : NULL;
    if (!name) {
        PyErr_SetString(PyExc_ValueError, "invalid events sequence");
        return -1;
    }
    PyObject **place;
    if (strcmp(name, "start") == 0) place = &b->start_event;
    else if (strcmp(name, "end") == 0) place = &b->end_event;
    else if (strcmp(name, "start-ns") == 0) place = &b->start_ns_event;
    else if (strcmp(name, "end-ns") == 0) place = &b->end_ns_event;
    else if (strcmp(name, "comment") == 0) place = &b->comment_event;
    else if (strcmp(name, "pi") == 0) place = &b->pi_event;
    else {
        PyErr_Format(PyExc_ValueError, "unknown event '%s'", name);
        return -1;
    }
    Py_XSETREF(*place, Py_NewRef(event));
    if (place == &b->start_ns_event || place == &b->end_ns_event) expat->SetNamespaceDeclHandler(p->expat, on_start_ns, on_end_ns);
    else if (place == &b->comment_event) expat->SetCommentHandler(p->expat, on_comment);
    else if (place == &b->pi_event) expat->SetProcessingInstructionHandler(p->expat, on_pi);
    return 0;
}

BUILTIN(parser, _setevents, POSITIONAL, "($self, events_queue, events_to_report=None, /)", "For XMLPullParser: which events go into the queue.")
{
    Parser *p = PARSER(self);
    if (ready(p) < 0) return NULL;
    Builder *b = builder_of(p);
    if (!b) return PyErr_Format(PyExc_TypeError, "event handling only supported for ElementTree.TreeBuilder targets");
    PyObject *append = PyObject_GetAttrString(arg[0], "append");
    if (!append) return NULL;
    Py_INCREF(b);
    Py_XSETREF(b->events_append, append);
    Py_CLEAR(b->start_event);
    Py_CLEAR(b->end_event);
    Py_CLEAR(b->start_ns_event);
    Py_CLEAR(b->end_ns_event);
    Py_CLEAR(b->comment_event);
    Py_CLEAR(b->pi_event);
    int status = 0;
    PyObject *sequence = NULL;
    if (!arg[1] || arg[1] == Py_None) status = (b->end_event = PyUnicode_FromString("end")) ? 0 : -1;
    else if (!(sequence = PySequence_Fast(arg[1], "events must be a sequence")) || ready(p) < 0) status = -1;
    for (Py_ssize_t i = 0; status == 0 && sequence && i < PySequence_Fast_GET_SIZE(sequence); i++)
        status = event_set(p, b, PySequence_Fast_GET_ITEM(sequence, i));
    Py_XDECREF(sequence);
    Py_DECREF(b);
    return parsed(status);
}

static PyObject *parser_version(PyObject *self, void *Py_UNUSED(closure))
{
    const struct PyExpat_CAPI *expat = PARSER(self)->state->expat;
    return PyUnicode_FromFormat("Expat %d.%d.%d", expat->MAJOR_VERSION, expat->MINOR_VERSION, expat->MICRO_VERSION);
}

static PyMethodDef parser_methods[] = {
    METHOD(parser, feed), METHOD(parser, close), METHOD(parser, flush), METHOD(parser, _parse_whole), METHOD(parser, _setevents), { 0 }
};
static PyMemberDef parser_members[] = {
    { "entity", _Py_T_OBJECT, offsetof(Parser, entity), Py_READONLY, NULL }, { "target", _Py_T_OBJECT, offsetof(Parser, target), Py_READONLY, NULL }, { 0 }
};
static PyGetSetDef parser_getset[] = { { "version", parser_version, NULL, NULL, NULL }, { 0 } };
static PyType_Slot parser_slots[] = {
    SLOT(tp_dealloc, parser_dealloc), SLOT(tp_traverse, parser_traverse), SLOT(tp_clear, parser_clear), SLOT(tp_methods, parser_methods),
    SLOT(tp_members, parser_members), SLOT(tp_getset, parser_getset), SLOT(tp_init, parser_init), SLOT(tp_new, parser_new), { 0 }
};
PyType_Spec parser_spec = {
    .name = "xml.etree.ElementTree.XMLParser", .basicsize = sizeof(Parser), .slots = parser_slots,
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
};
