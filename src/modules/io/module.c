/* The _io module: open(), open_code(), text_encoding() and the classes of this folder. */
#include "io_private.h"
#include "runtime/state.h"

#include <structmember.h>

/* ---- open() ------------------------------------------------------------------------------------------------------------------ */

typedef struct Mode { bool creating, reading, writing, appending, updating, text, binary; char raw[6]; } Mode;

static int parse_mode(const char *text, Mode *mode)
{
    *mode = (Mode){ 0 };
    for (const char *p = text; *p; p++) {
        bool *flag = *p == 'x' ? &mode->creating : *p == 'r' ? &mode->reading : *p == 'w' ? &mode->writing : *p == 'a' ? &mode->appending
                     : *p == '+' ? &mode->updating : *p == 't' ? &mode->text : *p == 'b' ? &mode->binary : NULL;
        if (!flag || *flag) {
            PyErr_Format(PyExc_ValueError, "invalid mode: '%s'", text);
            return -1;
        }
        *flag = true;
    }
    char *raw = mode->raw;
    if (mode->creating) *raw++ = 'x';
    if (mode->reading) *raw++ = 'r';
    if (mode->writing) *raw++ = 'w';
    if (mode->appending) *raw++ = 'a';
    if (mode->updating) *raw++ = '+';
    *raw = '\0';
    if (mode->text && mode->binary) PyErr_SetString(PyExc_ValueError, "can't have text and binary mode at once");
    else if (mode->creating + mode->reading + mode->writing + mode->appending != 1)
        PyErr_SetString(PyExc_ValueError, "must have exactly one of create/read/write/append mode");
    else return 0;
    return -1;
}

static int optional_text(PyObject *value, const char *name)
{
    if (!value || value == Py_None) return 0;
    if (!PyUnicode_Check(value)) {
        PyErr_Format(PyExc_TypeError, "open() argument '%s' must be str or None, not %T", name, value);
        return -1;
    }
    const char *text = PyUnicode_AsUTF8(value);
    if (!text) return -1;
    if (strlen(text) == (size_t)PyUnicode_GET_LENGTH(value)) return 0;
    PyErr_SetString(PyExc_ValueError, "embedded null character");
    return -1;
}

BUILTIN(io_module, open, KEYWORDS,
        "($module, /, file, mode='r', buffering=-1, encoding=None,\n     errors=None, newline=None, closefd=True, opener=None)",
        "Open file (a path or a descriptor) and return a stream. Raise OSError upon failure.\n\n"
        "mode is one of 'r', 'w', 'a', 'x', with '+' for updating, 'b' for bytes or 't' (the default) for text.\n"
        "buffering is 0 (only bytes), 1 (by line, only text) or the size of the buffer; encoding, errors and newline are for text.")
{
    IoState *state = io_state(self);
    Mode mode;
    const char *mode_text = "r";
    int buffering = -1, closefd = 1;
    PyObject *encoding = arg[3] ? arg[3] : Py_None, *errors = arg[4] ? arg[4] : Py_None, *newline = arg[5] ? arg[5] : Py_None;
    PyObject *opener = arg[7] ? arg[7] : Py_None, *path = NULL, *raw = NULL, *buffer = NULL, *wrapper = NULL, *result = NULL, *mode_object = NULL;
    if (arg[1]) {
        if (!PyUnicode_Check(arg[1])) return PyErr_Format(PyExc_TypeError, "open() argument 'mode' must be str, not %T", arg[1]);
        if (!(mode_text = PyUnicode_AsUTF8(arg[1]))) return NULL;
    }
    if (arg[2] && (buffering = PyLong_AsInt(arg[2])) == -1 && PyErr_Occurred()) return NULL;
    if (optional_text(encoding, "encoding") < 0 || optional_text(errors, "errors") < 0 || optional_text(newline, "newline") < 0) return NULL;
    if (arg[6] && (closefd = PyObject_IsTrue(arg[6])) < 0) return NULL;

    if (PyNumber_Check(arg[0])) path = Py_NewRef(arg[0]);
    else if (!(path = PyOS_FSPath(arg[0]))) return NULL;
    if (!PyUnicode_Check(path) && !PyBytes_Check(path) && !PyNumber_Check(path)) {
        PyErr_Format(PyExc_TypeError, "invalid file: %R", arg[0]);
        goto fail;
    }
    if (parse_mode(mode_text, &mode) < 0) goto fail;
    if (mode.binary && encoding != Py_None) PyErr_SetString(PyExc_ValueError, "binary mode doesn't take an encoding argument");
    else if (mode.binary && errors != Py_None) PyErr_SetString(PyExc_ValueError, "binary mode doesn't take an errors argument");
    else if (mode.binary && newline != Py_None) PyErr_SetString(PyExc_ValueError, "binary mode doesn't take a newline argument");
    if (PyErr_Occurred()) goto fail;
    if (mode.binary && buffering == 1
        && PyErr_WarnEx(PyExc_RuntimeWarning, "line buffering (buffering=1) isn't supported in binary mode, the default buffer size will be used", 1) < 0)
        goto fail;

    raw = PyObject_CallFunction((PyObject *)state->file_io, "OsOO", path, mode.raw, closefd ? Py_True : Py_False, opener);
    if (!raw) goto fail;
    result = Py_NewRef(raw);
    Py_CLEAR(path);
    mode_object = PyUnicode_FromString(mode_text);
    if (!mode_object) goto fail;

    bool line_buffering = buffering == 1 && !mode.binary;
    if (buffering < 0) {                               /* only a terminal is buffered by line, and asking costs a system call */
        int tty = io_truth(io_call(raw, "_isatty_open_only"));
        if (tty < 0) goto fail;
        if (tty) line_buffering = !mode.binary;
    }
    if (buffering < 0 || buffering == 1) {
        PyObject *size = PyObject_GetAttrString(raw, "_blksize");
        if (!size) goto fail;
        buffering = PyLong_AsInt(size);
        Py_DECREF(size);
        if (buffering == -1 && PyErr_Occurred()) goto fail;
    }
    if (buffering < 0) {
        PyErr_SetString(PyExc_ValueError, "invalid buffering size");
        goto fail;
    }
    if (buffering == 0) {
        if (!mode.binary) {
            PyErr_SetString(PyExc_ValueError, "can't have unbuffered text I/O");
            goto fail;
        }
        Py_DECREF(raw);
        Py_DECREF(mode_object);
        return result;
    }
    PyTypeObject *type = mode.updating ? state->buffered_random
                         : mode.creating || mode.writing || mode.appending ? state->buffered_writer : state->buffered_reader;
    if (!(buffer = PyObject_CallFunction((PyObject *)type, "Oi", raw, buffering))) goto fail;
    Py_SETREF(result, Py_NewRef(buffer));
    if (!mode.binary) {
        wrapper = PyObject_CallFunction((PyObject *)state->text_io_wrapper, "OOOOO", buffer, encoding, errors, newline,
                                        line_buffering ? Py_True : Py_False);
        if (!wrapper) goto fail;
        Py_SETREF(result, Py_NewRef(wrapper));
        if (PyObject_SetAttrString(wrapper, "mode", mode_object) < 0) goto fail;
    }
    Py_DECREF(raw);
    Py_DECREF(buffer);
    Py_XDECREF(wrapper);
    Py_DECREF(mode_object);
    return result;
fail:
    if (result) {
        PyObject *error = PyErr_GetRaisedException(), *closed = io_call(result, "close");
        if (closed) Py_DECREF(closed);
        else {
            PyObject *later = PyErr_GetRaisedException();
            PyException_SetContext(later, error);
            error = later;
        }
        PyErr_SetRaisedException(error);
    }
    Py_XDECREF(path);
    Py_XDECREF(raw);
    Py_XDECREF(buffer);
    Py_XDECREF(wrapper);
    Py_XDECREF(mode_object);
    Py_XDECREF(result);
    return NULL;
}

static int flag_of_interpreter(const char *name)
{
    PyObject *flags = PySys_GetObject("flags");
    if (!flags) return 0;
    int value = io_truth(PyObject_GetAttrString(flags, name));
    if (value < 0) PyErr_Clear();
    return value > 0;
}

PyObject *io_text_encoding(PyObject *encoding, int stacklevel)
{
    if (encoding && encoding != Py_None) return Py_NewRef(encoding);
    if (flag_of_interpreter("warn_default_encoding")
        && PyErr_WarnEx(PyExc_EncodingWarning, "'encoding' argument not specified", stacklevel) < 0) return NULL;
    return PyUnicode_InternFromString(flag_of_interpreter("utf8_mode") ? "utf-8" : "locale");
}

BUILTIN(io_module, text_encoding, POSITIONAL, "($module, encoding, stacklevel=2, /)",
        "Choose the text encoding: encoding itself, or \"locale\" (\"utf-8\" in UTF-8 mode) when it is None.")
{
    int stacklevel = 2;
    if (arg[1] && (stacklevel = PyLong_AsInt(arg[1])) == -1 && PyErr_Occurred()) return NULL;
    return io_text_encoding(arg[0], stacklevel);
}

BUILTIN(io_module, open_code, KEYWORDS, "($module, /, path)", "Opens the provided file with the intent to import the contents.")
{
    if (!PyUnicode_Check(arg[0])) return PyErr_Format(PyExc_TypeError, "open_code() argument 'path' must be str, not %T", arg[0]);
    return PyFile_OpenCodeObject(arg[0]);
}

static PyMethodDef io_functions[] = { METHOD(io_module, open), METHOD(io_module, text_encoding), METHOD(io_module, open_code), { 0 } };

/* ---- the module ----------------------------------------------------------------------------------------------------------------- */

static PyTypeObject *add_type(PyObject *module, PyType_Spec *spec, PyTypeObject *base, bool public)
{
    PyTypeObject *type = (PyTypeObject *)PyType_FromModuleAndSpec(module, spec, (PyObject *)base);
    if (type && public && PyModule_AddType(module, type) < 0) Py_CLEAR(type);
    return type;
}

static int io_exec(PyObject *module)
{
    IoState *s = io_state(module);
    interp_get()->gc.stream_rank = io_stream_rank;
    if (PyModule_AddIntMacro(module, DEFAULT_BUFFER_SIZE) < 0) return -1;
    s->unsupported_operation = PyObject_CallFunction((PyObject *)&PyType_Type, "s(OO){}", "UnsupportedOperation", PyExc_OSError, PyExc_ValueError);
    if (!s->unsupported_operation) return -1;
    PyObject *io_name = PyUnicode_InternFromString("io");
    int status = io_name ? PyObject_SetAttrString(s->unsupported_operation, "__module__", io_name) : -1;
    Py_XDECREF(io_name);
    if (status < 0 || PyModule_AddObjectRef(module, "UnsupportedOperation", s->unsupported_operation) < 0) return -1;
    if (PyModule_AddObjectRef(module, "BlockingIOError", PyExc_BlockingIOError) < 0) return -1;

    const struct { PyTypeObject **type; PyType_Spec *spec; PyTypeObject **base; bool public; } types[] = {
        { &s->io_base, &io_base_spec, NULL, true },
        { &s->newline_decoder, &newline_decoder_spec, NULL, true },
        { &s->bytes_io_buffer, &bytes_io_buffer_spec, NULL, true },
        { &s->text_io_base, &text_io_base_spec, &s->io_base, true },
        { &s->buffered_io_base, &buffered_io_base_spec, &s->io_base, true },
        { &s->raw_io_base, &raw_io_base_spec, &s->io_base, true },
        { &s->file_io, &file_io_spec, &s->raw_io_base, true },
        { &s->bytes_io, &bytes_io_spec, &s->buffered_io_base, true },
        { &s->buffered_writer, &buffered_writer_spec, &s->buffered_io_base, true },
        { &s->buffered_reader, &buffered_reader_spec, &s->buffered_io_base, true },
        { &s->buffered_random, &buffered_random_spec, &s->buffered_io_base, true },
        { &s->buffered_rwpair, &buffered_rwpair_spec, &s->buffered_io_base, true },
        { &s->string_io, &string_io_spec, &s->text_io_base, true },
        { &s->text_io_wrapper, &text_io_wrapper_spec, &s->text_io_base, true },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(types); i++) {
        *types[i].type = add_type(module, types[i].spec, types[i].base ? *types[i].base : NULL, types[i].public);
        if (!*types[i].type) return -1;
    }
    return 0;
}

#define STATE_OBJECTS(DO)                                                                                               \
    DO(io_base) DO(raw_io_base) DO(buffered_io_base) DO(text_io_base) DO(file_io) DO(bytes_io) DO(bytes_io_buffer) DO(string_io)   \
    DO(buffered_reader) DO(buffered_writer) DO(buffered_random) DO(buffered_rwpair) DO(newline_decoder) DO(text_io_wrapper)        \
    DO(unsupported_operation)

static int io_traverse(PyObject *module, visitproc visit, void *arg)
{
    IoState *s = io_state(module);
#define VISIT(member) Py_VISIT(s->member);
    STATE_OBJECTS(VISIT)
    return 0;
}

static int io_clear(PyObject *module)
{
    IoState *s = io_state(module);
#define CLEAR(member) Py_CLEAR(s->member);
    STATE_OBJECTS(CLEAR)
    return 0;
}

static void io_free(void *module) { io_clear(module); }

static PyModuleDef_Slot io_slots[] = {
    { Py_mod_exec, io_exec },
    { Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED },
    { 0 }
};

struct PyModuleDef io_definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_io",
    .m_doc = "The implementation of the io module: streams of bytes and text, raw, buffered and in memory.",
    .m_size = sizeof(IoState),
    .m_methods = io_functions,
    .m_slots = io_slots,
    .m_traverse = io_traverse,
    .m_clear = io_clear,
    .m_free = io_free,
};

PyMODINIT_FUNC PyInit__io(void) { return PyModuleDef_Init(&io_definition); }
