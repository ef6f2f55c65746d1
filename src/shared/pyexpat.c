/* The pyexpat module: XML parsing over libexpat.
 *
 * A parser has a slot for each kind of handler. Handlers run inside the library's parse call; when one raises, all are taken
 * away, so that nothing more is called, and Parse() returns with the exception. Character data may be gathered in a buffer,
 * which every other event empties first. */
#define PY_SSIZE_T_CLEAN
#include "capi/args.h"

#include <expat.h>
#include <frameobject.h>
#include <pyexpat.h>
#include <string.h>

enum { CHUNK = 1 << 20, BUFFER_SIZE = 8192, READ_SIZE = 2048 };

#define HANDLERS(H)                                                                                                     \
    H(StartElement) H(EndElement) H(ProcessingInstruction) H(CharacterData) H(UnparsedEntityDecl) H(NotationDecl)       \
    H(StartNamespaceDecl) H(EndNamespaceDecl) H(Comment) H(StartCdataSection) H(EndCdataSection) H(Default)             \
    H(DefaultHandlerExpand) H(NotStandalone) H(ExternalEntityRef) H(StartDoctypeDecl) H(EndDoctypeDecl) H(EntityDecl)   \
    H(XmlDecl) H(ElementDecl) H(AttlistDecl) H(SkippedEntity)

enum {
#define H(name) AT_##name,
    HANDLERS(H)
#undef H
    HANDLER_COUNT
};

typedef struct Expat { PyTypeObject *parser_type; PyObject *error; } Expat;

typedef struct Parser {
    PyObject_HEAD
    XML_Parser xml;
    Expat *state;
    bool ordered_attributes, specified_attributes, in_callback, ns_prefixes;
    XML_Char *buffer;                         /* character data gathered, NULL when not wanted */
    int buffer_size, buffer_used;
    PyObject *intern;                         /* dict */
    PyObject *parent;                         /* of a parser for an external entity: the library looks there as long as this one lives */
    PyObject *handlers[HANDLER_COUNT];
} Parser;

#define PARSER(o) ((Parser *)(o))

/* ---- errors ---- */

static PyObject *raise_code(Parser *p, enum XML_Error code)
{
    XML_Size line = XML_GetErrorLineNumber(p->xml), column = XML_GetErrorColumnNumber(p->xml);
    const char *what = XML_ErrorString(code);
    PyObject *text = PyUnicode_FromFormat("%s: line %zu, column %zu", what ? what : "unknown error", (size_t)line, (size_t)column);
    PyObject *error = text ? PyObject_CallOneArg(p->state->error, text) : NULL;
    Py_XDECREF(text);
    if (!error) return NULL;
    const char *names[] = { "code", "offset", "lineno" };
    unsigned long values[] = { (unsigned long)code, column, line };
    for (int i = 0; i < 3; i++) {
        PyObject *number = PyLong_FromUnsignedLong(values[i]);
        int r = number ? PyObject_SetAttrString(error, names[i], number) : -1;
        Py_XDECREF(number);
        if (r < 0) {
            Py_DECREF(error);
            return NULL;
        }
    }
    PyErr_SetObject(p->state->error, error);
    Py_DECREF(error);
    return NULL;
}

/* ---- calling handlers ---- */

static void set_library_handler(Parser *p, int which);

static int refuse_entities(XML_Parser xml, const XML_Char *context, const XML_Char *base, const XML_Char *system_id, const XML_Char *public_id) { return 0; }

static void take_handlers_away(Parser *p)
{
    for (int i = 0; i < HANDLER_COUNT; i++) {
        Py_CLEAR(p->handlers[i]);
        set_library_handler(p, i);
    }
    XML_SetExternalEntityRefHandler(p->xml, refuse_entities);
}

static const char *const handler_names[] = {
#define H(name) #name,
    HANDLERS(H)
#undef H
};

/* A line in the traceback that says through which handler the exception came. */
static void add_traceback(int which, int line)
{
    PyObject *error = PyErr_GetRaisedException(), *globals = PyDict_New();
    PyCodeObject *code = globals ? PyCode_NewEmpty("../src/shared/pyexpat.c", handler_names[which], line) : NULL;
    PyFrameObject *frame = code ? PyFrame_New(PyThreadState_Get(), code, globals, NULL) : NULL;
    PyErr_Clear();
    PyErr_SetRaisedException(error);
    if (frame) PyTraceBack_Here(frame);
    Py_XDECREF(frame);
    Py_XDECREF(code);
    Py_XDECREF(globals);
}

/* Calls a handler with args (STOLEN, may be NULL with an exception). NEW result, or NULL: after an exception no more handlers
 * run; without one the handler of the character data that went before has taken this one away. */
static PyObject *call_handler(Parser *p, int which, PyObject *args)
{
    PyObject *result = NULL, *handler = Py_XNewRef(p->handlers[which]);
    if (args && !handler) {
        Py_DECREF(args);
        return NULL;
    }
    if (args) {
        bool outer = p->in_callback;
        p->in_callback = true;
        result = PyObject_Call(handler, args, NULL);
        p->in_callback = outer;
        if (!result) add_traceback(which, __LINE__);
    }
    Py_XDECREF(handler);
    Py_XDECREF(args);
    if (!result) take_handlers_away(p);
    return result;
}

static PyObject *text_or_none(const XML_Char *s) { return s ? PyUnicode_DecodeUTF8(s, (Py_ssize_t)strlen(s), "strict") : Py_NewRef(Py_None); }

/* Names come again and again: one object for each. */
static PyObject *name_of(Parser *p, const XML_Char *s)
{
    PyObject *text = text_or_none(s), *kept = NULL;
    if (!text || !p->intern || text == Py_None) return text;
    if (PyDict_SetDefaultRef(p->intern, text, text, &kept) < 0) kept = NULL;
    Py_DECREF(text);
    return kept;
}

static int call_character_data(Parser *p, const XML_Char *data, int n)
{
    if (!p->handlers[AT_CharacterData]) return 0;
    PyObject *result = call_handler(p, AT_CharacterData, Py_BuildValue("(N)", PyUnicode_DecodeUTF8(data, n, "strict")));
    Py_XDECREF(result);
    return result ? 0 : -1;
}

static int flush(Parser *p)
{
    if (!p->buffer || !p->buffer_used) return 0;
    int n = p->buffer_used;
    p->buffer_used = 0;
    return call_character_data(p, p->buffer, n);
}

static void on_CharacterData(void *user, const XML_Char *data, int n)
{
    Parser *p = user;
    if (PyErr_Occurred()) return;
    if (!p->buffer) {
        call_character_data(p, data, n);
        return;
    }
    if (p->buffer_used + n > p->buffer_size) {
        if (flush(p) < 0 || !p->handlers[AT_CharacterData]) return;
    }
    if (n > p->buffer_size || !p->buffer) {   /* the handler may have switched the buffer off */
        call_character_data(p, data, n);
        p->buffer_used = 0;
    }
    else {
        memcpy(p->buffer + p->buffer_used, data, (size_t)n);
        p->buffer_used += n;
    }
}

/* Every other event: flush, then call. */
#define ON(name, parameters, ...)                                                                                       \
    static void on_##name parameters                                                                                    \
    {                                                                                                                   \
        Parser *p = user;                                                                                               \
        if (!p->handlers[AT_##name] || PyErr_Occurred() || flush(p) < 0) return;                                        \
        Py_XDECREF(call_handler(p, AT_##name, Py_BuildValue(__VA_ARGS__)));                                             \
    }
#define ON_INT(name, parser, parameters, ...)                                                                           \
    static int on_##name parameters                                                                                     \
    {                                                                                                                   \
        Parser *p = parser;                                                                                             \
        if (!p->handlers[AT_##name] || PyErr_Occurred() || flush(p) < 0) return 0;                                      \
        PyObject *result = call_handler(p, AT_##name, Py_BuildValue(__VA_ARGS__));                                      \
        if (!result) return 0;                                                                                          \
        int value = (int)PyLong_AsLong(result);                                                                         \
        Py_DECREF(result);                                                                                              \
        if (value == -1 && PyErr_Occurred()) take_handlers_away(p);                                                     \
        return value;                                                                                                   \
    }

ON(EndElement, (void *user, const XML_Char *name), "(N)", name_of(p, name))
ON(ProcessingInstruction, (void *user, const XML_Char *target, const XML_Char *data), "(NN)", name_of(p, target), text_or_none(data))
ON(UnparsedEntityDecl, (void *user, const XML_Char *entity, const XML_Char *base, const XML_Char *system, const XML_Char *public, const XML_Char *notation),
   "(NNNNN)", name_of(p, entity), name_of(p, base), name_of(p, system), name_of(p, public), name_of(p, notation))
ON(NotationDecl, (void *user, const XML_Char *notation, const XML_Char *base, const XML_Char *system, const XML_Char *public),
   "(NNNN)", name_of(p, notation), name_of(p, base), name_of(p, system), name_of(p, public))
ON(StartNamespaceDecl, (void *user, const XML_Char *prefix, const XML_Char *uri), "(NN)", name_of(p, prefix), name_of(p, uri))
ON(EndNamespaceDecl, (void *user, const XML_Char *prefix), "(N)", name_of(p, prefix))
ON(Comment, (void *user, const XML_Char *data), "(N)", text_or_none(data))
ON(StartCdataSection, (void *user), "()")
ON(EndCdataSection, (void *user), "()")
ON(Default, (void *user, const XML_Char *data, int n), "(N)", PyUnicode_DecodeUTF8(data, n, "strict"))
ON(DefaultHandlerExpand, (void *user, const XML_Char *data, int n), "(N)", PyUnicode_DecodeUTF8(data, n, "strict"))
ON(StartDoctypeDecl, (void *user, const XML_Char *name, const XML_Char *system, const XML_Char *public, int internal),
   "(NNNi)", name_of(p, name), name_of(p, system), name_of(p, public), internal)
ON(EndDoctypeDecl, (void *user), "()")
ON(EntityDecl, (void *user, const XML_Char *name, int parameter, const XML_Char *value, int n, const XML_Char *base, const XML_Char *system, const XML_Char *public, const XML_Char *notation),
   "(NiNNNNN)", name_of(p, name), parameter, value ? PyUnicode_DecodeUTF8(value, n, "strict") : Py_NewRef(Py_None), name_of(p, base),
   name_of(p, system), name_of(p, public), name_of(p, notation))
ON(XmlDecl, (void *user, const XML_Char *version, const XML_Char *encoding, int standalone), "(NNi)", text_or_none(version), text_or_none(encoding), standalone)
ON(AttlistDecl, (void *user, const XML_Char *element, const XML_Char *attribute, const XML_Char *type, const XML_Char *value, int required),
   "(NNNNi)", name_of(p, element), name_of(p, attribute), text_or_none(type), text_or_none(value), required)
ON(SkippedEntity, (void *user, const XML_Char *name, int parameter), "(Ni)", name_of(p, name), parameter)
ON_INT(NotStandalone, user, (void *user), "()")
ON_INT(ExternalEntityRef, XML_GetUserData(xml), (XML_Parser xml, const XML_Char *context, const XML_Char *base, const XML_Char *system, const XML_Char *public),
       "(NNNN)", text_or_none(context), name_of(p, base), name_of(p, system), name_of(p, public))

static PyObject *model_of(Parser *p, const XML_Content *m)
{
    PyObject *children = PyTuple_New(m->numchildren);
    for (unsigned i = 0; children && i < m->numchildren; i++) {
        PyObject *child = NULL;
        if (Py_EnterRecursiveCall(" in _conv_content_model") == 0) {
            child = model_of(p, &m->children[i]);
            Py_LeaveRecursiveCall();
        }
        if (!child) Py_CLEAR(children);
        else PyTuple_SET_ITEM(children, i, child);
    }
    return children ? Py_BuildValue("(iiNN)", (int)m->type, (int)m->quant, name_of(p, m->name), children) : NULL;
}

static void on_ElementDecl(void *user, const XML_Char *name, XML_Content *model)
{
    Parser *p = user;
    if (p->handlers[AT_ElementDecl] && !PyErr_Occurred() && flush(p) == 0) {
        PyObject *tuple = model_of(p, model);
        Py_XDECREF(call_handler(p, AT_ElementDecl, tuple ? Py_BuildValue("(NN)", name_of(p, name), tuple) : NULL));
    }
    XML_FreeContentModel(p->xml, model);
}

static PyObject *attributes_of(Parser *p, const XML_Char **attributes)
{
    Py_ssize_t n = 0;
    if (p->specified_attributes) n = XML_GetSpecifiedAttributeCount(p->xml);
    else while (attributes[n]) n += 2;
    PyObject *all = p->ordered_attributes ? PyList_New(n) : PyDict_New();
    for (Py_ssize_t i = 0; all && i < n; i += 2) {
        PyObject *name = name_of(p, attributes[i]), *value = name ? text_or_none(attributes[i + 1]) : NULL;
        int r = value ? 0 : -1;
        if (value && p->ordered_attributes) {
            PyList_SET_ITEM(all, i, Py_NewRef(name));
            PyList_SET_ITEM(all, i + 1, Py_NewRef(value));
        }
        else if (value) r = PyDict_SetItem(all, name, value);
        Py_XDECREF(name);
        Py_XDECREF(value);
        if (r < 0) Py_CLEAR(all);
    }
    return all;
}

static void on_StartElement(void *user, const XML_Char *name, const XML_Char **attributes)
{
    Parser *p = user;
    if (!p->handlers[AT_StartElement] || PyErr_Occurred() || flush(p) < 0) return;
    PyObject *all = attributes_of(p, attributes);
    Py_XDECREF(call_handler(p, AT_StartElement, all ? Py_BuildValue("(NN)", name_of(p, name), all) : NULL));
}

static void set_library_handler(Parser *p, int which)
{
    XML_Parser x = p->xml;
    bool on = p->handlers[which] != NULL;
#define CASE(name, set) case AT_##name: set(x, on ? on_##name : NULL); break;
    switch (which) {
    CASE(StartElement, XML_SetStartElementHandler) CASE(EndElement, XML_SetEndElementHandler) CASE(ProcessingInstruction, XML_SetProcessingInstructionHandler)
    CASE(CharacterData, XML_SetCharacterDataHandler) CASE(UnparsedEntityDecl, XML_SetUnparsedEntityDeclHandler) CASE(NotationDecl, XML_SetNotationDeclHandler)
    CASE(StartNamespaceDecl, XML_SetStartNamespaceDeclHandler) CASE(EndNamespaceDecl, XML_SetEndNamespaceDeclHandler) CASE(Comment, XML_SetCommentHandler)
    CASE(StartCdataSection, XML_SetStartCdataSectionHandler) CASE(EndCdataSection, XML_SetEndCdataSectionHandler) CASE(Default, XML_SetDefaultHandler)
    CASE(DefaultHandlerExpand, XML_SetDefaultHandlerExpand) CASE(NotStandalone, XML_SetNotStandaloneHandler) CASE(StartDoctypeDecl, XML_SetStartDoctypeDeclHandler)
    CASE(EndDoctypeDecl, XML_SetEndDoctypeDeclHandler) CASE(EntityDecl, XML_SetEntityDeclHandler) CASE(XmlDecl, XML_SetXmlDeclHandler)
    CASE(ElementDecl, XML_SetElementDeclHandler) CASE(AttlistDecl, XML_SetAttlistDeclHandler) CASE(SkippedEntity, XML_SetSkippedEntityHandler)
    CASE(ExternalEntityRef, XML_SetExternalEntityRefHandler)
    }
#undef CASE
}

static void set_all_library_handlers(Parser *p)
{
    for (int i = 0; i < HANDLER_COUNT; i++) if (p->handlers[i]) set_library_handler(p, i);
}

/* An encoding that the library does not know, through Python's codecs: single bytes only. */
static int on_unknown_encoding(void *data, const XML_Char *name, XML_Encoding *info)
{
    char bytes[256];
    if (PyErr_Occurred()) return XML_STATUS_ERROR;
    for (int i = 0; i < 256; i++) bytes[i] = (char)i;
    PyObject *text = PyUnicode_Decode(bytes, 256, name, "replace");
    if (!text) return XML_STATUS_ERROR;
    if (PyUnicode_GET_LENGTH(text) != 256) {
        Py_DECREF(text);
        PyErr_SetString(PyExc_ValueError, "multi-byte encodings are not supported");
        return XML_STATUS_ERROR;
    }
    for (int i = 0; i < 256; i++) {
        Py_UCS4 c = PyUnicode_READ_CHAR(text, i);
        info->map[i] = c == Py_UNICODE_REPLACEMENT_CHARACTER ? -1 : (int)c;
    }
    info->data = NULL;
    info->convert = NULL;
    info->release = NULL;
    Py_DECREF(text);
    return XML_STATUS_OK;
}

/* ---- parsing ---- */

/* The library cannot be entered again from a handler. */
static int check_idle(Parser *p)
{
    if (!p->in_callback) return 0;
    PyErr_SetString(PyExc_RuntimeError, "the parser was called from one of its handlers");
    return -1;
}

static PyObject *parse_result(Parser *p, int status)
{
    if (PyErr_Occurred()) return NULL;
    if (!status) return raise_code(p, XML_GetErrorCode(p->xml));
    return flush(p) < 0 ? NULL : PyLong_FromLong(status);
}

BUILTIN(parser, Parse, POSITIONAL, "($self, data, isfinal=False, /)", "Parse XML data. isfinal is true with the last piece.")
{
    Parser *p = PARSER(self);
    Py_buffer view = { 0 };
    Py_ssize_t n;
    const char *data;
    int final = arg[1] ? PyObject_IsTrue(arg[1]) : 0, status = 1;
    if (final < 0 || check_idle(p) < 0) return NULL;
    if (PyUnicode_Check(arg[0])) {
        if (!(data = PyUnicode_AsUTF8AndSize(arg[0], &n))) return NULL;
        (void)XML_SetEncoding(p->xml, "utf-8");
    }
    else {
        if (PyObject_GetBuffer(arg[0], &view, PyBUF_SIMPLE) < 0) return NULL;
        data = view.buf;
        n = view.len;
    }
    Py_INCREF(self);
    for (; n > CHUNK && status; data += CHUNK, n -= CHUNK) {
        status = XML_Parse(p->xml, data, CHUNK, 0);
        if (PyErr_Occurred()) break;
    }
    if (status && !PyErr_Occurred()) status = XML_Parse(p->xml, data, (int)n, final);
    if (view.obj) PyBuffer_Release(&view);
    PyObject *result = parse_result(p, status);
    Py_DECREF(self);
    return result;
}

BUILTIN_O(parser, ParseFile, "($self, file, /)", "Parse XML data from file-like object.")
{
    Parser *p = PARSER(self);
    PyObject *read;
    int status = 1;
    if (check_idle(p) < 0 || PyObject_GetOptionalAttrString(arg, "read", &read) < 0) return NULL;
    if (!read) return PyErr_Format(PyExc_TypeError, "argument must have 'read' attribute");
    for (;;) {
        PyObject *piece = PyObject_CallFunction(read, "i", (int)READ_SIZE);
        if (!piece) break;
        void *room = XML_GetBuffer(p->xml, READ_SIZE);      /* not before read(), which may parse something itself */
        const char *data = PyBytes_Check(piece) ? PyBytes_AS_STRING(piece) : PyByteArray_Check(piece) ? PyByteArray_AS_STRING(piece) : NULL;
        Py_ssize_t n = data ? Py_SIZE(piece) : 0;
        if (!data) PyErr_Format(PyExc_TypeError, "read() did not return a bytes object (type=%.400s)", Py_TYPE(piece)->tp_name);
        else if (!room) raise_code(p, XML_GetErrorCode(p->xml));
        else if (n > READ_SIZE) PyErr_Format(PyExc_ValueError, "read() returned too much data: %i bytes requested, %zd returned", (int)READ_SIZE, n);
        else memcpy(room, data, (size_t)n);
        Py_DECREF(piece);
        if (PyErr_Occurred()) break;
        status = XML_ParseBuffer(p->xml, (int)n, n == 0);
        if (PyErr_Occurred() || !status || !n) break;
    }
    Py_DECREF(read);
    return parse_result(p, status);
}

BUILTIN_O(parser, SetBase, "($self, base, /)", "Set the base URL for the parser.")
{
    if (!PyUnicode_Check(arg)) return PyErr_Format(PyExc_TypeError, "SetBase() argument must be str, not %T", arg);
    const char *base = PyUnicode_AsUTF8(arg);
    if (!base) return NULL;
    if (!XML_SetBase(PARSER(self)->xml, base)) return PyErr_NoMemory();
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(parser, GetBase, "($self, /)", "Return base URL string for the parser.") { return text_or_none(XML_GetBase(PARSER(self)->xml)); }

BUILTIN_NOARGS(parser, GetInputContext, "($self, /)", "Return the untranslated text of the input that caused the current event.")
{
    if (!PARSER(self)->in_callback) Py_RETURN_NONE;
    int offset, size;
    const char *buffer = XML_GetInputContext(PARSER(self)->xml, &offset, &size);
    if (!buffer) Py_RETURN_NONE;
    return PyBytes_FromStringAndSize(buffer + offset, size - offset);
}

BUILTIN_O(parser, SetParamEntityParsing, "($self, flag, /)", "Controls parsing of parameter entities (including the external DTD subset).")
{
    int flag = PyLong_AsInt(arg);
    if (flag == -1 && PyErr_Occurred()) return NULL;
    return PyLong_FromLong(XML_SetParamEntityParsing(PARSER(self)->xml, (enum XML_ParamEntityParsing)flag));
}

BUILTIN(parser, UseForeignDTD, POSITIONAL, "($self, flag=True, /)", "Allows the application to provide an artificial external subset if one is not specified.")
{
    int flag = arg[0] ? PyObject_IsTrue(arg[0]) : 1;
    if (flag < 0) return NULL;
    enum XML_Error code = XML_UseForeignDTD(PARSER(self)->xml, flag ? XML_TRUE : XML_FALSE);
    if (code != XML_ERROR_NONE) return raise_code(PARSER(self), code);
    Py_RETURN_NONE;
}

#if XML_MAJOR_VERSION > 2 || (XML_MAJOR_VERSION == 2 && XML_MINOR_VERSION >= 6)
#define HAVE_REPARSE_DEFERRAL 1
#endif
static void set_deferral(Parser *p, bool enabled)
{
#ifdef HAVE_REPARSE_DEFERRAL
    XML_SetReparseDeferralEnabled(p->xml, enabled ? XML_TRUE : XML_FALSE);
#endif
}

BUILTIN_O(parser, SetReparseDeferralEnabled, "($self, enabled, /)", "Enable/Disable reparse deferral; enabled by default with Expat >=2.6.0.")
{
    int enabled = PyObject_IsTrue(arg);
    if (enabled < 0) return NULL;
    set_deferral(PARSER(self), enabled);
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(parser, GetReparseDeferralEnabled, "($self, /)", "Whether reparse deferral is enabled; always false with Expat <2.6.0.")
{
#ifdef HAVE_REPARSE_DEFERRAL
    Py_RETURN_TRUE;
#else
    Py_RETURN_FALSE;
#endif
}

static Parser *parser_alloc(Expat *state)
{
    Parser *p = (Parser *)state->parser_type->tp_alloc(state->parser_type, 0);
    if (!p) return NULL;
    p->state = state;
    p->buffer_size = BUFFER_SIZE;
    return p;
}

BUILTIN(parser, ExternalEntityParserCreate, POSITIONAL, "($self, context, encoding=None, /)", "Create a parser for parsing an external entity.")
{
    Parser *p = PARSER(self), *made;
    const char *context = arg[0] == Py_None ? NULL : PyUnicode_AsUTF8(arg[0]), *encoding = arg[1] && arg[1] != Py_None ? PyUnicode_AsUTF8(arg[1]) : NULL;
    if (PyErr_Occurred() || !(made = parser_alloc(p->state))) return NULL;
    made->ordered_attributes = p->ordered_attributes;
    made->specified_attributes = p->specified_attributes;
    made->ns_prefixes = p->ns_prefixes;
    made->buffer_size = p->buffer_size;
    made->intern = Py_XNewRef(p->intern);
    made->parent = Py_NewRef(self);
    if (!(made->xml = XML_ExternalEntityParserCreate(p->xml, context, encoding)) || (p->buffer && !(made->buffer = PyMem_Malloc((size_t)made->buffer_size)))) {
        Py_DECREF(made);
        return PyErr_NoMemory();
    }
    XML_SetUserData(made->xml, made);
    for (int i = 0; i < HANDLER_COUNT; i++) made->handlers[i] = Py_XNewRef(p->handlers[i]);
    set_all_library_handlers(made);
    return (PyObject *)made;
}

/* ---- attributes ---- */

static PyObject *parser_get_handler(PyObject *self, void *which)
{
    PyObject *handler = PARSER(self)->handlers[(intptr_t)which];
    return Py_NewRef(handler ? handler : Py_None);
}

static int parser_set_handler(PyObject *self, PyObject *value, void *closure)
{
    Parser *p = PARSER(self);
    int which = (int)(intptr_t)closure;
    if (!value) {
        PyErr_SetString(PyExc_TypeError, "Cannot delete attribute");
        return -1;
    }
    if (which == AT_CharacterData && flush(p) < 0) return -1;
    Py_XSETREF(p->handlers[which], value == Py_None ? NULL : Py_NewRef(value));
    set_library_handler(p, which);
    return 0;
}

#define NUMBER(name, function) \
    static PyObject *parser_##name(PyObject *self, void *closure) { return PyLong_FromLong((long)function(PARSER(self)->xml)); }
NUMBER(ErrorCode, XML_GetErrorCode)
NUMBER(ErrorLineNumber, XML_GetErrorLineNumber)
NUMBER(ErrorColumnNumber, XML_GetErrorColumnNumber)
NUMBER(ErrorByteIndex, XML_GetErrorByteIndex)
NUMBER(CurrentLineNumber, XML_GetCurrentLineNumber)
NUMBER(CurrentColumnNumber, XML_GetCurrentColumnNumber)
NUMBER(CurrentByteIndex, XML_GetCurrentByteIndex)

static PyObject *parser_get_buffer_text(PyObject *self, void *closure) { return PyBool_FromLong(PARSER(self)->buffer != NULL); }
static PyObject *parser_get_buffer_used(PyObject *self, void *closure) { return PyLong_FromLong(PARSER(self)->buffer_used); }
static PyObject *parser_get_buffer_size(PyObject *self, void *closure) { return PyLong_FromLong(PARSER(self)->buffer_size); }
static PyObject *parser_get_flag(PyObject *self, void *offset) { return PyBool_FromLong(*((bool *)self + (intptr_t)offset)); }
static PyObject *parser_get_intern(PyObject *self, void *closure) { return Py_NewRef(PARSER(self)->intern ? PARSER(self)->intern : Py_None); }

static int truth(PyObject *value)
{
    if (value) return PyObject_IsTrue(value);
    PyErr_SetString(PyExc_RuntimeError, "Cannot delete attribute");
    return -1;
}

static int parser_set_flag(PyObject *self, PyObject *value, void *offset)
{
    int on = truth(value);
    if (on < 0) return -1;
    *((bool *)self + (intptr_t)offset) = on;
    if ((size_t)(intptr_t)offset == offsetof(Parser, ns_prefixes)) XML_SetReturnNSTriplet(PARSER(self)->xml, on);
    return 0;
}

static int parser_set_buffer_text(PyObject *self, PyObject *value, void *closure)
{
    Parser *p = PARSER(self);
    int on = truth(value);
    if (on < 0) return -1;
    if (on && !p->buffer) {
        if (!(p->buffer = PyMem_Malloc((size_t)p->buffer_size))) {
            PyErr_NoMemory();
            return -1;
        }
        p->buffer_used = 0;
    }
    else if (!on && p->buffer) {
        if (flush(p) < 0) return -1;
        PyMem_Free(p->buffer);
        p->buffer = NULL;
    }
    return 0;
}

static int parser_set_buffer_size(PyObject *self, PyObject *value, void *closure)
{
    Parser *p = PARSER(self);
    if (!value) {
        PyErr_SetString(PyExc_RuntimeError, "Cannot delete attribute");
        return -1;
    }
    if (!PyLong_Check(value)) {
        PyErr_SetString(PyExc_TypeError, "buffer_size must be an integer");
        return -1;
    }
    long size = PyLong_AsLong(value);
    if (size <= 0) {
        if (!PyErr_Occurred()) PyErr_SetString(PyExc_ValueError, "buffer_size must be greater than zero");
        return -1;
    }
    if (size > INT_MAX) {
        PyErr_Format(PyExc_ValueError, "buffer_size must not be greater than %i", INT_MAX);
        return -1;
    }
    if (size == p->buffer_size) return 0;
    if (p->buffer) {
        if (flush(p) < 0) return -1;
        PyMem_Free(p->buffer);
        if (!(p->buffer = PyMem_Malloc((size_t)size))) {
            PyErr_NoMemory();
            return -1;
        }
    }
    p->buffer_size = (int)size;
    return 0;
}

#define FLAG(name) { #name, parser_get_flag, parser_set_flag, NULL, (void *)(intptr_t)offsetof(Parser, name) }
static PyGetSetDef parser_getset[] = {
#define HANDLER_NAME(name) AT_##name == AT_DefaultHandlerExpand ? "DefaultHandlerExpand" : #name "Handler"
#define H(name) { HANDLER_NAME(name), parser_get_handler, parser_set_handler, NULL, (void *)(intptr_t)AT_##name },
    HANDLERS(H)
#undef H
    { "ErrorCode", parser_ErrorCode, NULL, NULL, NULL }, { "ErrorLineNumber", parser_ErrorLineNumber, NULL, NULL, NULL },
    { "ErrorColumnNumber", parser_ErrorColumnNumber, NULL, NULL, NULL }, { "ErrorByteIndex", parser_ErrorByteIndex, NULL, NULL, NULL },
    { "CurrentLineNumber", parser_CurrentLineNumber, NULL, NULL, NULL }, { "CurrentColumnNumber", parser_CurrentColumnNumber, NULL, NULL, NULL },
    { "CurrentByteIndex", parser_CurrentByteIndex, NULL, NULL, NULL }, { "buffer_text", parser_get_buffer_text, parser_set_buffer_text, NULL, NULL },
    { "buffer_used", parser_get_buffer_used, NULL, NULL, NULL }, { "buffer_size", parser_get_buffer_size, parser_set_buffer_size, NULL, NULL },
    { "namespace_prefixes", parser_get_flag, parser_set_flag, NULL, (void *)(intptr_t)offsetof(Parser, ns_prefixes) }, FLAG(ordered_attributes),
    FLAG(specified_attributes), { "intern", parser_get_intern, NULL, NULL, NULL }, { 0 }
};
static PyMethodDef parser_methods[] = {
    METHOD(parser, Parse), METHOD(parser, ParseFile), METHOD(parser, SetBase), METHOD(parser, GetBase), METHOD(parser, GetInputContext),
    METHOD(parser, ExternalEntityParserCreate), METHOD(parser, SetParamEntityParsing), METHOD(parser, UseForeignDTD),
    METHOD(parser, SetReparseDeferralEnabled), METHOD(parser, GetReparseDeferralEnabled), { 0 }
};

static int parser_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(PARSER(self)->intern);
    Py_VISIT(PARSER(self)->parent);
    for (int i = 0; i < HANDLER_COUNT; i++) Py_VISIT(PARSER(self)->handlers[i]);
    return 0;
}

static int parser_clear(PyObject *self)
{
    Py_CLEAR(PARSER(self)->intern);
    for (int i = 0; i < HANDLER_COUNT; i++) Py_CLEAR(PARSER(self)->handlers[i]);
    return 0;
}

static void parser_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    if (PARSER(self)->xml) XML_ParserFree(PARSER(self)->xml);
    Py_XDECREF(PARSER(self)->parent);         /* nothing that tp_clear could take away */
    parser_clear(self);
    PyMem_Free(PARSER(self)->buffer);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyType_Slot parser_slots[] = {
    { Py_tp_dealloc, parser_dealloc }, { Py_tp_traverse, parser_traverse }, { Py_tp_clear, parser_clear }, { Py_tp_methods, parser_methods },
    { Py_tp_getset, parser_getset }, { Py_tp_doc, (char *)"XML parser" }, { 0, NULL }
};
static PyType_Spec parser_spec = { "pyexpat.xmlparser", sizeof(Parser), 0,
                                   Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE, parser_slots };

/* ---- the module ---- */

/* 0 with *text, which None and a missing argument leave NULL; -1 with TypeError. */
static int optional_text(PyObject *o, const char *name, const char **text)
{
    *text = NULL;
    if (!o || o == Py_None) return 0;
    if (PyUnicode_Check(o)) return (*text = PyUnicode_AsUTF8(o)) ? 0 : -1;
    PyErr_Format(PyExc_TypeError, "ParserCreate() argument '%s' must be str or None, not %.50s", name, Py_TYPE(o)->tp_name);
    return -1;
}

BUILTIN(expat, ParserCreate, KEYWORDS, "($module, /, encoding=None, namespace_separator=None, intern=<unrepresentable>)", "Return a new XML parser object.")
{
    Expat *state = PyModule_GetState(self);
    const char *encoding, *separator;
    if (optional_text(arg[0], "encoding", &encoding) < 0 || optional_text(arg[1], "namespace_separator", &separator) < 0) return NULL;
    if (separator && strlen(separator) > 1) return PyErr_Format(PyExc_ValueError, "namespace_separator must be at most one character, omitted, or None");
    if (arg[2] && arg[2] != Py_None && !PyDict_Check(arg[2])) return PyErr_Format(PyExc_TypeError, "intern must be a dictionary");
    Parser *p = parser_alloc(state);
    if (!p) return NULL;
    if (!arg[2]) p->intern = PyDict_New();
    else if (arg[2] != Py_None) p->intern = Py_NewRef(arg[2]);
    if (!arg[2] && !p->intern) goto fail;
    p->xml = XML_ParserCreate_MM(encoding, NULL, separator);
    if (!p->xml) {
        PyErr_SetString(PyExc_RuntimeError, "XML_ParserCreate failed");
        goto fail;
    }
    PyObject *seed = PyUnicode_FromString("pyexpat");       /* its hash is as unpredictable as those of dicts */
    if (!seed) goto fail;
    XML_SetHashSalt(p->xml, (unsigned long)PyObject_Hash(seed));
    Py_DECREF(seed);
    XML_SetUserData(p->xml, p);
    XML_SetUnknownEncodingHandler(p->xml, on_unknown_encoding, NULL);
    return (PyObject *)p;
fail:
    Py_DECREF(p);
    return NULL;
}

BUILTIN_O(expat, ErrorString, "($module, code, /)", "Returns string error for given number.")
{
    long code = PyLong_AsLong(arg);
    return code == -1 && PyErr_Occurred() ? NULL : text_or_none(XML_ErrorString((int)code));
}

static PyMethodDef expat_methods[] = { METHOD(expat, ParserCreate), METHOD(expat, ErrorString), { 0 } };

/* Errors in the order of their numbers, from 1; the text is for those that the library is too old to know. */
static const struct { const char *name, *text; } errors[] = {
    { "NO_MEMORY", "out of memory" }, { "SYNTAX", "syntax error" }, { "NO_ELEMENTS", "no element found" },
    { "INVALID_TOKEN", "not well-formed (invalid token)" }, { "UNCLOSED_TOKEN", "unclosed token" }, { "PARTIAL_CHAR", "partial character" },
    { "TAG_MISMATCH", "mismatched tag" }, { "DUPLICATE_ATTRIBUTE", "duplicate attribute" }, { "JUNK_AFTER_DOC_ELEMENT", "junk after document element" },
    { "PARAM_ENTITY_REF", "illegal parameter entity reference" }, { "UNDEFINED_ENTITY", "undefined entity" },
    { "RECURSIVE_ENTITY_REF", "recursive entity reference" }, { "ASYNC_ENTITY", "asynchronous entity" },
    { "BAD_CHAR_REF", "reference to invalid character number" }, { "BINARY_ENTITY_REF", "reference to binary entity" },
    { "ATTRIBUTE_EXTERNAL_ENTITY_REF", "reference to external entity in attribute" }, { "MISPLACED_XML_PI", "XML or text declaration not at start of entity" },
    { "UNKNOWN_ENCODING", "unknown encoding" }, { "INCORRECT_ENCODING", "encoding specified in XML declaration is incorrect" },
    { "UNCLOSED_CDATA_SECTION", "unclosed CDATA section" }, { "EXTERNAL_ENTITY_HANDLING", "error in processing external entity reference" },
    { "NOT_STANDALONE", "document is not standalone" }, { "UNEXPECTED_STATE", "unexpected parser state - please send a bug report" },
    { "ENTITY_DECLARED_IN_PE", "entity declared in parameter entity" }, { "FEATURE_REQUIRES_XML_DTD", "requested feature requires XML_DTD support in Expat" },
    { "CANT_CHANGE_FEATURE_ONCE_PARSING", "cannot change setting once parsing has begun" }, { "UNBOUND_PREFIX", "unbound prefix" },
    { "UNDECLARING_PREFIX", "must not undeclare prefix" }, { "INCOMPLETE_PE", "incomplete markup in parameter entity" },
    { "XML_DECL", "XML declaration not well-formed" }, { "TEXT_DECL", "text declaration not well-formed" },
    { "PUBLICID", "illegal character(s) in public id" }, { "SUSPENDED", "parser suspended" }, { "NOT_SUSPENDED", "parser not suspended" },
    { "ABORTED", "parsing aborted" }, { "FINISHED", "parsing finished" }, { "SUSPEND_PE", "cannot suspend in external parameter entity" },
    { "RESERVED_PREFIX_XML", "reserved prefix (xml) must not be undeclared or bound to another namespace name" },
    { "RESERVED_PREFIX_XMLNS", "reserved prefix (xmlns) must not be declared or undeclared" },
    { "RESERVED_NAMESPACE_URI", "prefix must not be bound to one of the reserved namespace names" }, { "INVALID_ARGUMENT", "invalid argument" },
    { "NO_BUFFER", "a successful prior call to function XML_GetBuffer was required" },
    { "AMPLIFICATION_LIMIT_BREACH", "limit on input amplification factor (from DTD and entities) breached" },
};

/* A module of constants below this one, borrowed; it is an attribute and in sys.modules. */
static PyObject *add_submodule(PyObject *module, const char *name, const char *full_name, const char *doc)
{
    PyObject *sub = PyImport_AddModule(full_name);
    if (!sub || PyModule_SetDocString(sub, doc) < 0 || PyModule_AddObjectRef(module, name, sub) < 0) return NULL;
    return sub;
}

static int add_errors(PyObject *module)
{
    PyObject *sub = add_submodule(module, "errors", "pyexpat.errors", "Constants used to describe error conditions.");
    PyObject *codes = PyDict_New(), *messages = PyDict_New();
    int r = sub && codes && messages ? 0 : -1;
    for (size_t i = 0; r == 0 && i < ARRAY_LENGTH(errors); i++) {
        char name[64];
        const char *known = XML_ErrorString((enum XML_Error)(i + 1));
        snprintf(name, sizeof name, "XML_ERROR_%s", errors[i].name);
        PyObject *text = PyUnicode_FromString(known ? known : errors[i].text), *number = PyLong_FromSize_t(i + 1);
        r = text && number && PyModule_AddObjectRef(sub, name, text) == 0 && PyDict_SetItem(codes, text, number) == 0 && PyDict_SetItem(messages, number, text) == 0 ? 0 : -1;
        Py_XDECREF(text);
        Py_XDECREF(number);
    }
    if (r == 0) r = PyModule_AddObjectRef(sub, "codes", codes) < 0 || PyModule_AddObjectRef(sub, "messages", messages) < 0 ? -1 : 0;
    Py_XDECREF(codes);
    Py_XDECREF(messages);
    return r;
}

static int add_model(PyObject *module)
{
    PyObject *sub = add_submodule(module, "model", "pyexpat.model", "Constants used to interpret content model information.");
    if (!sub) return -1;
#define CONSTANT(name) if (PyModule_AddIntConstant(sub, #name, name) < 0) return -1
    CONSTANT(XML_CTYPE_EMPTY);
    CONSTANT(XML_CTYPE_ANY);
    CONSTANT(XML_CTYPE_MIXED);
    CONSTANT(XML_CTYPE_NAME);
    CONSTANT(XML_CTYPE_CHOICE);
    CONSTANT(XML_CTYPE_SEQ);
    CONSTANT(XML_CQUANT_NONE);
    CONSTANT(XML_CQUANT_OPT);
    CONSTANT(XML_CQUANT_REP);
    CONSTANT(XML_CQUANT_PLUS);
#undef CONSTANT
    return 0;
}

static int add_features(PyObject *module)
{
    PyObject *list = PyList_New(0);
    const XML_Feature *f = XML_GetFeatureList();
    for (; list && f->feature != XML_FEATURE_END; f++) {
        PyObject *pair = Py_BuildValue("(sl)", f->name, f->value);
        int r = pair ? PyList_Append(list, pair) : -1;
        Py_XDECREF(pair);
        if (r < 0) Py_CLEAR(list);
    }
    return PyModule_Add(module, "features", list);
}

/* What other modules, _elementtree for one, call the library through. */
static const struct PyExpat_CAPI capi = {
    .magic = (char *)PyExpat_CAPI_MAGIC, .size = sizeof capi,
    .MAJOR_VERSION = XML_MAJOR_VERSION, .MINOR_VERSION = XML_MINOR_VERSION, .MICRO_VERSION = XML_MICRO_VERSION,
    .ErrorString = XML_ErrorString, .GetErrorCode = XML_GetErrorCode, .GetErrorColumnNumber = XML_GetErrorColumnNumber,
    .GetErrorLineNumber = XML_GetErrorLineNumber, .Parse = XML_Parse, .ParserCreate_MM = XML_ParserCreate_MM, .ParserFree = XML_ParserFree,
    .SetCharacterDataHandler = XML_SetCharacterDataHandler, .SetCommentHandler = XML_SetCommentHandler,
    .SetDefaultHandlerExpand = XML_SetDefaultHandlerExpand, .SetElementHandler = XML_SetElementHandler,
    .SetNamespaceDeclHandler = XML_SetNamespaceDeclHandler, .SetProcessingInstructionHandler = XML_SetProcessingInstructionHandler,
    .SetUnknownEncodingHandler = XML_SetUnknownEncodingHandler, .SetUserData = XML_SetUserData,
    .SetStartDoctypeDeclHandler = XML_SetStartDoctypeDeclHandler, .SetEncoding = XML_SetEncoding,
    .DefaultUnknownEncodingHandler = on_unknown_encoding, .SetHashSalt = XML_SetHashSalt,
#if XML_MAJOR_VERSION > 2 || (XML_MAJOR_VERSION == 2 && XML_MINOR_VERSION >= 6)
    .SetReparseDeferralEnabled = XML_SetReparseDeferralEnabled,
#endif
};

static int expat_exec(PyObject *module)
{
    Expat *state = PyModule_GetState(module);
    XML_Expat_Version version = XML_ExpatVersionInfo();
    if (!(state->parser_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &parser_spec, NULL)) ||
        !(state->error = PyErr_NewException("xml.parsers.expat.ExpatError", NULL, NULL))) return -1;
    return PyModule_AddObjectRef(module, "error", state->error) < 0 || PyModule_AddObjectRef(module, "ExpatError", state->error) < 0 ||
           PyModule_AddObjectRef(module, "XMLParserType", (PyObject *)state->parser_type) < 0 ||
           PyModule_AddStringConstant(module, "EXPAT_VERSION", XML_ExpatVersion()) < 0 ||
           PyModule_Add(module, "version_info", Py_BuildValue("(iii)", version.major, version.minor, version.micro)) < 0 ||
           PyModule_Add(module, "expat_CAPI", PyCapsule_New((void *)&capi, PyExpat_CAPSULE_NAME, NULL)) < 0 ||
           PyModule_AddStringConstant(module, "native_encoding", "UTF-8") < 0 || add_errors(module) < 0 || add_model(module) < 0 || add_features(module) < 0 ||
           PyModule_AddIntConstant(module, "XML_PARAM_ENTITY_PARSING_NEVER", XML_PARAM_ENTITY_PARSING_NEVER) < 0 ||
           PyModule_AddIntConstant(module, "XML_PARAM_ENTITY_PARSING_UNLESS_STANDALONE", XML_PARAM_ENTITY_PARSING_UNLESS_STANDALONE) < 0 ||
           PyModule_AddIntConstant(module, "XML_PARAM_ENTITY_PARSING_ALWAYS", XML_PARAM_ENTITY_PARSING_ALWAYS) < 0 ? -1 : 0;
}

static int expat_traverse(PyObject *module, visitproc visit, void *arg)
{
    Expat *state = PyModule_GetState(module);
    Py_VISIT(state->parser_type);
    Py_VISIT(state->error);
    return 0;
}

static int expat_clear(PyObject *module)
{
    Expat *state = PyModule_GetState(module);
    Py_CLEAR(state->parser_type);
    Py_CLEAR(state->error);
    return 0;
}

static void expat_free(void *module) { expat_clear(module); }

static PyModuleDef_Slot expat_slots[] = {
    { Py_mod_exec, expat_exec }, { Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED }, { 0, NULL }
};
static PyModuleDef expat_module = {
    PyModuleDef_HEAD_INIT, "pyexpat", "Python wrapper for Expat parser.", sizeof(Expat), expat_methods, expat_slots, expat_traverse, expat_clear, expat_free,
};

PyMODINIT_FUNC PyInit_pyexpat(void) { return PyModuleDef_Init(&expat_module); }
