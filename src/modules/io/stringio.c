/* _io.StringIO: a text stream in memory.
 *
 * Most are only appended to and read once at the end. While that is so (accumulating) the pieces are joined by a string
 * writer; the first read, seek or overwrite turns them into an array of code points, where every position is one step. */
#include "io_private.h"

typedef struct StringIo {
    IO_HEAD
    Py_UCS4 *buffer;
    Py_ssize_t position, size, capacity;
    _PyUnicodeWriter writer;
    bool accumulating, closed, initialized, universal, translate;
    PyObject *newline_decoder, *newline, *write_newline;
} StringIo;

#define STRING_IO(o) ((StringIo *)(o))

#define CHECK_USABLE(self)                                                                                              \
    do {                                                                                                                \
        if (!STRING_IO(self)->initialized) {                                                                            \
            PyErr_SetString(PyExc_ValueError, "I/O operation on uninitialized object");                                 \
            return NULL;                                                                                                \
        }                                                                                                               \
        if (STRING_IO(self)->closed) {                                                                                  \
            PyErr_SetString(PyExc_ValueError, "I/O operation on closed file");                                          \
            return NULL;                                                                                                \
        }                                                                                                               \
    } while (0)

static int reserve(StringIo *self, Py_ssize_t size)
{
    if (size <= self->capacity) return 0;
    Py_ssize_t capacity = size + (size >> 3) + 8;
    if (size > PY_SSIZE_T_MAX / 8) {
        PyErr_SetString(PyExc_OverflowError, "new buffer size too large");
        return -1;
    }
    Py_UCS4 *buffer = PyMem_Realloc(self->buffer, (size_t)capacity * sizeof *buffer);
    if (!buffer) {
        PyErr_NoMemory();
        return -1;
    }
    self->buffer = buffer;
    self->capacity = capacity;
    return 0;
}

static void accumulate(StringIo *self)
{
    _PyUnicodeWriter_Init(&self->writer);
    self->writer.overallocate = 1;
}

/* The writer's text was lost for want of memory. */
static COLD void lose_text(StringIo *self) { self->size = self->position = 0; }

/* From the writer to the array. 0 or -1. */
static int realize(StringIo *self)
{
    if (!self->accumulating) return 0;
    self->accumulating = false;
    PyObject *text = _PyUnicodeWriter_Finish(&self->writer);
    Py_ssize_t n = text ? PyUnicode_GET_LENGTH(text) : 0;
    int status = text && reserve(self, n) == 0 && (!n || PyUnicode_AsUCS4(text, self->buffer, n, 0)) ? 0 : -1;
    if (status < 0) lose_text(self);
    Py_XDECREF(text);
    return status;
}

static Py_ssize_t write_text(StringIo *self, PyObject *text)
{
    PyObject *decoded = self->newline_decoder ? io_newline_decode(self->newline_decoder, text, 1) : Py_NewRef(text);
    if (!decoded) return -1;
    if (self->write_newline) {
        PyObject *nl = PyUnicode_FromStringAndSize("\n", 1), *translated = nl ? PyUnicode_Replace(decoded, nl, self->write_newline, -1) : NULL;
        Py_XDECREF(nl);
        Py_SETREF(decoded, translated);
        if (!decoded) return -1;
    }
    Py_ssize_t n = PyUnicode_GET_LENGTH(decoded), status = -1;
    if (self->position > PY_SSIZE_T_MAX - n) PyErr_SetString(PyExc_OverflowError, "new position too large");
    else if (self->accumulating && self->position == self->size) {
        if (_PyUnicodeWriter_WriteStr(&self->writer, decoded) == 0) {
            self->size += n;
            self->position += n;
            status = 0;
        }
    }
    else if (realize(self) == 0 && reserve(self, self->position + n) == 0) {
        if (self->position > self->size) memset(self->buffer + self->size, 0, (size_t)(self->position - self->size) * sizeof(Py_UCS4));
        if (!n || PyUnicode_AsUCS4(decoded, self->buffer + self->position, n, 0)) {
            self->position += n;
            if (self->size < self->position) self->size = self->position;
            status = 0;
        }
    }
    Py_DECREF(decoded);
    return status;
}

BUILTIN_NOARGS(stringio, getvalue, "($self, /)", "Retrieve the entire contents of the object.")
{
    StringIo *io = STRING_IO(self);
    CHECK_USABLE(self);
    if (!io->accumulating) return PyUnicode_FromKindAndData(PyUnicode_4BYTE_KIND, io->buffer, io->size);
    PyObject *text = _PyUnicodeWriter_Finish(&io->writer);
    accumulate(io);
    if (text && _PyUnicodeWriter_WriteStr(&io->writer, text) < 0) Py_CLEAR(text);
    if (!text) lose_text(io);
    return text;
}

BUILTIN_NOARGS(stringio, tell, "($self, /)", "Tell the current file position.")
{
    CHECK_USABLE(self);
    return PyLong_FromSsize_t(STRING_IO(self)->position);
}

BUILTIN(stringio, read, POSITIONAL, "($self, size=-1, /)", "Read at most size characters, returned as a string.")
{
    StringIo *io = STRING_IO(self);
    Py_ssize_t size = -1;
    if (io_optional_size(arg[0], &size) < 0) return NULL;
    CHECK_USABLE(self);
    Py_ssize_t n = io->size - io->position;
    if (n < 0) n = 0;
    if (size < 0 || size > n) size = n;
    if (io->accumulating && io->position == 0 && size == io->size) {
        PyObject *all = stringio_getvalue(self, NULL);
        if (all) io->position = io->size;
        return all;
    }
    if (realize(io) < 0) return NULL;
    PyObject *text = PyUnicode_FromKindAndData(PyUnicode_4BYTE_KIND, size ? io->buffer + io->position : NULL, size);
    if (text) io->position += size;
    return text;
}

/* The next line as a str, empty at the end; limit -1: none. */
static PyObject *next_line(StringIo *io, Py_ssize_t limit)
{
    if (realize(io) < 0) return NULL;
    if (io->position >= io->size) return PyUnicode_FromStringAndSize(NULL, 0);
    Py_UCS4 *start = io->buffer + io->position;
    Py_ssize_t left = io->size - io->position, consumed;
    if (limit < 0 || limit > left) limit = left;
    Py_ssize_t n = io_find_line_ending(io->translate, io->universal, io->newline, PyUnicode_4BYTE_KIND, (char *)start,
                                       (char *)(start + limit), &consumed);
    if (n < 0) n = limit;
    io->position += n;
    return PyUnicode_FromKindAndData(PyUnicode_4BYTE_KIND, start, n);
}

BUILTIN(stringio, readline, POSITIONAL, "($self, size=-1, /)", "Read until newline or EOF; an empty string when EOF is hit immediately.")
{
    Py_ssize_t limit = -1;
    if (io_optional_size(arg[0], &limit) < 0) return NULL;
    CHECK_USABLE(self);
    return next_line(STRING_IO(self), limit);
}

static PyObject *stringio_next(PyObject *self)
{
    CHECK_USABLE(self);
    PyObject *line;
    if (Py_IS_TYPE(self, io_state_of(self)->string_io)) line = next_line(STRING_IO(self), -1);
    else {
        line = io_call(self, "readline");
        if (line && !PyUnicode_Check(line)) {
            PyErr_Format(PyExc_OSError, "readline() should have returned an str object, not '%.200s'", Py_TYPE(line)->tp_name);
            Py_CLEAR(line);
        }
    }
    if (line && PyUnicode_GET_LENGTH(line) == 0) Py_CLEAR(line);
    return line;
}

BUILTIN(stringio, truncate, POSITIONAL, "($self, pos=None, /)", "Truncate size to pos, the current position by default. Returns the new absolute position.")
{
    StringIo *io = STRING_IO(self);
    Py_ssize_t size = io->position;
    if (io_optional_size(arg[0], &size) < 0) return NULL;
    CHECK_USABLE(self);
    if (size < 0) return PyErr_Format(PyExc_ValueError, "Negative size value %zd", size);
    if (size < io->size) {
        if (realize(io) < 0) return NULL;
        io->size = size;
    }
    return PyLong_FromSsize_t(size);
}

BUILTIN(stringio, seek, POSITIONAL, "($self, pos, whence=0, /)", "Change stream position; only 0 is allowed as pos where whence is 1 or 2.")
{
    StringIo *io = STRING_IO(self);
    int whence = 0;
    Py_ssize_t position = PyNumber_AsSsize_t(arg[0], PyExc_OverflowError);
    if (position == -1 && PyErr_Occurred()) return NULL;
    if (arg[1] && (whence = PyLong_AsInt(arg[1])) == -1 && PyErr_Occurred()) return NULL;
    CHECK_USABLE(self);
    if (whence < 0 || whence > 2) return PyErr_Format(PyExc_ValueError, "Invalid whence (%i, should be 0, 1 or 2)", whence);
    if (position < 0 && whence == 0) return PyErr_Format(PyExc_ValueError, "Negative seek position %zd", position);
    if (whence && position) {
        PyErr_SetString(PyExc_OSError, "Can't do nonzero cur-relative seeks");
        return NULL;
    }
    if (whence == 1) position = io->position;
    else if (whence == 2) position = io->size;
    io->position = position;
    return PyLong_FromSsize_t(position);
}

BUILTIN_O(stringio, write, "($self, s, /)", "Write string to file. Returns the number of characters written.")
{
    CHECK_USABLE(self);
    if (!PyUnicode_Check(arg)) return PyErr_Format(PyExc_TypeError, "string argument expected, got '%s'", Py_TYPE(arg)->tp_name);
    Py_ssize_t n = PyUnicode_GET_LENGTH(arg);
    if (n > 0 && write_text(STRING_IO(self), arg) < 0) return NULL;
    return PyLong_FromSsize_t(n);
}

static void release(StringIo *io)
{
    if (io->accumulating) _PyUnicodeWriter_Dealloc(&io->writer);
    io->accumulating = false;
    PyMem_Free(io->buffer);
    io->buffer = NULL;
    io->size = io->capacity = 0;
}

BUILTIN_NOARGS(stringio, close, "($self, /)", "Close the IO object; its contents are gone.")
{
    STRING_IO(self)->closed = true;
    release(STRING_IO(self));
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(stringio, readable, "($self, /)", "Returns True if the IO object can be read.") { CHECK_USABLE(self); Py_RETURN_TRUE; }
BUILTIN_NOARGS(stringio, writable, "($self, /)", "Returns True if the IO object can be written.") { CHECK_USABLE(self); Py_RETURN_TRUE; }
BUILTIN_NOARGS(stringio, seekable, "($self, /)", "Returns True if the IO object can be seeked.") { CHECK_USABLE(self); Py_RETURN_TRUE; }

static PyObject *stringio_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    return type->tp_alloc(type, 0);
}

SIGNATURE(stringio_signature, "StringIO", KEYWORDS, "(initial_value='', newline='\\n')");

static int stringio_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    StringIo *io = STRING_IO(self);
    PyObject *arg[2];
    const char *newline = "\n";
    if (args_bind_tuple(&stringio_signature, args, kwargs, arg) < 0) return -1;
    PyObject *value = arg[0] && arg[0] != Py_None ? arg[0] : NULL;
    if (arg[1]) {
        if (arg[1] == Py_None) newline = NULL;
        else if (!PyUnicode_Check(arg[1])) {
            PyErr_Format(PyExc_TypeError, "newline must be str or None, not %.200s", Py_TYPE(arg[1])->tp_name);
            return -1;
        }
        else if (!(newline = PyUnicode_AsUTF8(arg[1]))) return -1;
    }
    if (newline && newline[0] && strcmp(newline, "\n") && strcmp(newline, "\r") && strcmp(newline, "\r\n")) {
        PyErr_Format(PyExc_ValueError, "illegal newline value: %R", arg[1]);
        return -1;
    }
    if (value && !PyUnicode_Check(value)) {
        PyErr_Format(PyExc_TypeError, "initial_value must be str or None, not %.200s", Py_TYPE(value)->tp_name);
        return -1;
    }
    io->initialized = false;
    release(io);
    Py_CLEAR(io->newline);
    Py_CLEAR(io->write_newline);
    Py_CLEAR(io->newline_decoder);
    if (newline && !(io->newline = PyUnicode_FromString(newline))) return -1;
    io->universal = !newline || !newline[0];
    io->translate = !newline;
    if (newline && newline[0] == '\r') io->write_newline = Py_NewRef(io->newline);
    if (io->universal) {
        io->newline_decoder = PyObject_CallFunctionObjArgs((PyObject *)io_state_of(self)->newline_decoder, Py_None,
                                                           io->translate ? Py_True : Py_False, NULL);
        if (!io->newline_decoder) return -1;
    }
    io->position = 0;
    accumulate(io);
    io->accumulating = true;
    if (value && PyUnicode_GET_LENGTH(value)) {
        if (write_text(io, value) < 0) return -1;
    }
    io->position = 0;
    io->closed = false;
    io->initialized = true;
    return 0;
}

BUILTIN_NOARGS(stringio, __getstate__, "($self, /)", "")
{
    PyObject *value = stringio_getvalue(self, NULL), *dict, *state = NULL;
    if (!value) return NULL;
    dict = STRING_IO(self)->dict ? PyDict_Copy(STRING_IO(self)->dict) : Py_NewRef(Py_None);
    PyObject *newline = STRING_IO(self)->newline ? STRING_IO(self)->newline : Py_None;
    if (dict) state = Py_BuildValue("(OOnN)", value, newline, STRING_IO(self)->position, dict);
    Py_DECREF(value);
    return state;
}

BUILTIN_O(stringio, __setstate__, "($self, state, /)", "")
{
    StringIo *io = STRING_IO(self);
    if (io->initialized && io->closed) CHECK_USABLE(self);
    if (!PyTuple_Check(arg) || PyTuple_GET_SIZE(arg) < 4)
        return PyErr_Format(PyExc_TypeError, "%.200s.__setstate__ argument should be 4-tuple, got %.200s", Py_TYPE(self)->tp_name, Py_TYPE(arg)->tp_name);
    PyObject *initial = PyTuple_GetSlice(arg, 0, 2);
    if (!initial) return NULL;
    int status = stringio_init(self, initial, NULL);
    Py_DECREF(initial);
    if (status < 0) return NULL;
    /* The value is taken as it is: newlines in it were translated when it was first written. */
    PyObject *value = PyTuple_GET_ITEM(arg, 0), *position = PyTuple_GET_ITEM(arg, 2), *dict = PyTuple_GET_ITEM(arg, 3);
    Py_ssize_t n = value == Py_None ? 0 : PyUnicode_GET_LENGTH(value);
    if (realize(io) < 0 || reserve(io, n) < 0 || (n && !PyUnicode_AsUCS4(value, io->buffer, n, 0))) return NULL;
    io->size = n;
    if (!PyLong_Check(position))
        return PyErr_Format(PyExc_TypeError, "third item of state must be an integer, got %.200s", Py_TYPE(position)->tp_name);
    Py_ssize_t at = PyLong_AsSsize_t(position);
    if (at == -1 && PyErr_Occurred()) return NULL;
    if (at < 0) return PyErr_Format(PyExc_ValueError, "position value cannot be negative");
    io->position = at;
    if (dict != Py_None) {
        if (!PyDict_Check(dict)) return PyErr_Format(PyExc_TypeError, "fourth item of state should be a dict, got a %.200s", Py_TYPE(dict)->tp_name);
        if (!io->dict) io->dict = Py_NewRef(dict);
        else if (PyDict_Update(io->dict, dict) < 0) return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *stringio_get_closed(PyObject *self, void *closure)
{
    if (!STRING_IO(self)->initialized) {
        PyErr_SetString(PyExc_ValueError, "I/O operation on uninitialized object");
        return NULL;
    }
    return PyBool_FromLong(STRING_IO(self)->closed);
}

static PyObject *stringio_get_line_buffering(PyObject *self, void *closure)
{
    CHECK_USABLE(self);
    Py_RETURN_FALSE;
}

static PyObject *stringio_get_newlines(PyObject *self, void *closure)
{
    CHECK_USABLE(self);
    PyObject *decoder = STRING_IO(self)->newline_decoder;
    return decoder ? PyObject_GetAttrString(decoder, "newlines") : Py_NewRef(Py_None);
}

static void stringio_dealloc(PyObject *self)
{
    StringIo *io = STRING_IO(self);
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    if (io->weakrefs) PyObject_ClearWeakRefs(self);
    release(io);
    Py_CLEAR(io->newline);
    Py_CLEAR(io->write_newline);
    Py_CLEAR(io->newline_decoder);
    Py_CLEAR(io->dict);
    type->tp_free(self);
    Py_DECREF(type);
}

static int stringio_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(STRING_IO(self)->newline_decoder);
    Py_VISIT(STRING_IO(self)->dict);
    return 0;
}

static int stringio_clear(PyObject *self)
{
    Py_CLEAR(STRING_IO(self)->newline_decoder);
    Py_CLEAR(STRING_IO(self)->dict);
    return 0;
}

static PyMethodDef stringio_methods[] = {
    METHOD(stringio, close), METHOD(stringio, getvalue), METHOD(stringio, read), METHOD(stringio, readline), METHOD(stringio, tell),
    METHOD(stringio, truncate), METHOD(stringio, seek), METHOD(stringio, write), METHOD(stringio, seekable), METHOD(stringio, readable),
    METHOD(stringio, writable), METHOD(stringio, __getstate__), METHOD(stringio, __setstate__),
    { 0 }
};

static PyGetSetDef stringio_getset[] = {
    { "closed", stringio_get_closed, NULL, NULL, NULL }, { "newlines", stringio_get_newlines, NULL, NULL, NULL },
    { "line_buffering", stringio_get_line_buffering, NULL, NULL, NULL }, { 0 }
};

static PyMemberDef stringio_members[] = {
    { "__weaklistoffset__", Py_T_PYSSIZET, offsetof(StringIo, weakrefs), Py_READONLY, NULL },
    { "__dictoffset__", Py_T_PYSSIZET, offsetof(StringIo, dict), Py_READONLY, NULL },
    { 0 }
};

static PyType_Slot stringio_slots[] = {
    { Py_tp_doc, "StringIO(initial_value='', newline='\\n')\n--\n\nText I/O implementation using an in-memory buffer." },
    { Py_tp_new, stringio_new }, { Py_tp_init, stringio_init }, { Py_tp_dealloc, stringio_dealloc }, { Py_tp_traverse, stringio_traverse },
    { Py_tp_clear, stringio_clear }, { Py_tp_iternext, stringio_next }, { Py_tp_methods, stringio_methods },
    { Py_tp_getset, stringio_getset }, { Py_tp_members, stringio_members }, { 0, NULL }
};

PyType_Spec string_io_spec = {
    "_io.StringIO", sizeof(StringIo), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE, stringio_slots
};
