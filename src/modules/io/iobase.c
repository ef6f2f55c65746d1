/* _io._IOBase and _io._RawIOBase: what every stream has, in terms of the few methods a class must bring. */
#include "io_private.h"

/* ---- helpers ------------------------------------------------------------------------------------------------------------ */

IoState *io_state_of_type(PyTypeObject *type)
{
    PyObject *module = PyType_GetModuleByDef(type, &io_definition);
    return module ? PyModule_GetState(module) : NULL;
}

PyObject *io_unsupported(IoState *state, const char *message)
{
    PyErr_SetString(state->unsupported_operation, message);
    return NULL;
}

PyObject *io_error_closed(void)
{
    PyErr_SetString(PyExc_ValueError, "I/O operation on closed file.");
    return NULL;
}

/* o is often a field of a stream, which what ran before, or the call itself, may clear. */
static PyObject *call(PyObject *o, const char *method, PyObject *argument)
{
    if (UNLIKELY(!o)) {
        PyErr_SetString(PyExc_ValueError, "the underlying stream has been detached");
        return NULL;
    }
    PyObject *name = PyUnicode_InternFromString(method), *args[] = { Py_NewRef(o), argument };
    PyObject *result = name ? PyObject_VectorcallMethod(name, args, argument ? 2 : 1, NULL) : NULL;
    Py_XDECREF(name);
    Py_DECREF(o);
    return result;
}

PyObject *io_call(PyObject *o, const char *method) { return call(o, method, NULL); }
PyObject *io_call1(PyObject *o, const char *method, PyObject *argument) { return call(o, method, argument); }

int io_truth(PyObject *result)
{
    if (!result) return -1;
    int truth = PyObject_IsTrue(result);
    Py_DECREF(result);
    return truth;
}

bool io_trap_eintr(void)
{
    if (!PyErr_ExceptionMatches(PyExc_InterruptedError)) return false;
    PyErr_Clear();
    return PyErr_CheckSignals() == 0;
}

int io_optional_size(PyObject *value, Py_ssize_t *size)
{
    if (!value || value == Py_None) return 0;
    if (!PyIndex_Check(value)) {
        PyErr_Format(PyExc_TypeError, "argument should be integer or None, not '%.200s'", Py_TYPE(value)->tp_name);
        return -1;
    }
    *size = PyNumber_AsSsize_t(value, PyExc_OverflowError);
    return *size == -1 && PyErr_Occurred() ? -1 : 0;
}

off_t io_offset(PyObject *value, PyObject *error)
{
    PyObject *index = PyNumber_Index(value);
    if (!index) return -1;
    long long offset = PyLong_AsLongLong(index);
    if (offset == -1 && PyErr_Occurred() && PyErr_ExceptionMatches(PyExc_OverflowError)) {
        PyErr_Clear();
        PyErr_Format(error ? error : PyExc_OverflowError, "cannot fit '%.200s' into an offset-sized integer", Py_TYPE(value)->tp_name);
    }
    Py_DECREF(index);
    return offset;
}

/* ---- closing -------------------------------------------------------------------------------------------------------------- */

/* The flag that _IOBase.close() leaves in the instance: 0, 1 or -1. */
static int marked_closed(PyObject *self)
{
    PyObject *flag;
    int found = PyObject_GetOptionalAttrString(self, "__IOBase_closed", &flag);
    Py_XDECREF(flag);
    return found;
}

static int is_closed(PyObject *self)
{
    PyObject *closed;
    int found = PyObject_GetOptionalAttrString(self, "closed", &closed);
    if (found <= 0) return found;
    return io_truth(closed);
}

/* BORROWED None, or NULL with ValueError */
static PyObject *io_check_closed(PyObject *self)
{
    int closed = is_closed(self);
    if (closed < 0) return NULL;
    return closed ? io_error_closed() : Py_None;
}

int io_require(IoState *state, PyObject *self, const char *method)
{
    static const struct { const char *method, *message; } texts[] = {
        { "seekable", "File or stream is not seekable." },
        { "readable", "File or stream is not readable." },
        { "writable", "File or stream is not writable." },
    };
    PyObject *result = io_call(self, method);
    if (!result) return -1;
    bool ok = result == Py_True;
    Py_DECREF(result);
    if (ok) return 0;
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++)
        if (strcmp(method, texts[i].method) == 0) io_unsupported(state, texts[i].message);
    return -1;
}

/* The finaliser of every class: closes what was left open. */
static void io_finalize(PyObject *self)
{
    PyObject *pending = PyErr_GetRaisedException();
    PyObject *flag;
    int closed = PyObject_GetOptionalAttrString(self, "closed", &flag) > 0 ? io_truth(flag) : -1;
    if (closed < 0) PyErr_Clear();               /* without the attribute it was never initialised far enough */
    if (closed == 0) {
        if (PyObject_SetAttrString(self, "_finalizing", Py_True) < 0) PyErr_Clear();
        PyObject *result = io_call(self, "close");
        if (result) Py_DECREF(result);
        else PyErr_WriteUnraisable(self);
    }
    PyErr_SetRaisedException(pending);
}

/* Text is built on buffers, those are on raw streams. */
int io_stream_rank(PyObject *o)
{
    if (Py_TYPE(o)->tp_finalize != io_finalize) return -1;
    IoState *state = io_state_of(o);
    if (!state || !state->text_io_base || !state->buffered_io_base) return -1;      /* the module is being cleared */
    if (PyType_IsSubtype(Py_TYPE(o), state->text_io_base)) return 0;
    return PyType_IsSubtype(Py_TYPE(o), state->buffered_io_base) ? 1 : 2;
}

static void iobase_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    if (PyObject_CallFinalizerFromDealloc(self) < 0) {
        /* Resurrected: an inheriting class's dealloc has already untracked it and dropped its type. */
        if (PyType_HasFeature(Py_TYPE(self), Py_TPFLAGS_HEAPTYPE)) Py_INCREF(Py_TYPE(self));
        return;
    }
    PyObject_GC_UnTrack(self);
    if (((IoBase *)self)->weakrefs) PyObject_ClearWeakRefs(self);
    Py_CLEAR(((IoBase *)self)->dict);
    type->tp_free(self);
    Py_DECREF(type);
}

static int iobase_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((IoBase *)self)->dict);
    return 0;
}

static int iobase_clear(PyObject *self)
{
    Py_CLEAR(((IoBase *)self)->dict);
    return 0;
}

/* ---- methods ------------------------------------------------------------------------------------------------------------------ */

#define UNSUPPORTED(owner, name, sig, text)                                                                             \
    BUILTIN(owner, name, KEYWORDS, sig, text) { return io_unsupported(io_state_of(self), #name); }

UNSUPPORTED(iobase, seek, "($self, offset, whence=os.SEEK_SET, /)", "Change the stream position to the given byte offset.")
UNSUPPORTED(iobase, truncate, "($self, size=None, /)", "Truncate file to size bytes; None means the current position.")
BUILTIN_NOARGS(iobase, fileno, "($self, /)", "Return underlying file descriptor if one exists.") { return io_unsupported(io_state_of(self), "fileno"); }

BUILTIN_NOARGS(iobase, tell, "($self, /)", "Return current stream position.")
{
    return PyObject_CallMethod(self, "seek", "ii", 0, 1);
}

BUILTIN_NOARGS(iobase, flush, "($self, /)", "Flush write buffers, if applicable.")
{
    int closed = marked_closed(self);
    if (closed < 0) return NULL;
    if (closed) return io_error_closed();
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(iobase, close, "($self, /)", "Flush and close the IO object. This method has no effect if the file is already closed.")
{
    int closed = marked_closed(self);
    if (closed < 0) return NULL;
    if (closed) Py_RETURN_NONE;
    PyObject *result = io_call(self, "flush"), *error = PyErr_GetRaisedException();
    int status = PyObject_SetAttrString(self, "__IOBase_closed", Py_True);
    if (error) {
        PyObject *later = PyErr_GetRaisedException();
        if (later) PyException_SetContext(error, later);
        PyErr_SetRaisedException(error);
        status = -1;
    }
    Py_XDECREF(result);
    if (status < 0) return NULL;
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(iobase, seekable, "($self, /)", "Return whether object supports random access.") { Py_RETURN_FALSE; }
BUILTIN_NOARGS(iobase, readable, "($self, /)", "Return whether object was opened for reading.") { Py_RETURN_FALSE; }
BUILTIN_NOARGS(iobase, writable, "($self, /)", "Return whether object was opened for writing.") { Py_RETURN_FALSE; }

BUILTIN_NOARGS(iobase, _checkClosed, "($self, /)", "") { return Py_XNewRef(io_check_closed(self)); }

#define CHECKER(name, method)                                                                                           \
    BUILTIN_NOARGS(iobase, name, "($self, /)", "")                                                                      \
    {                                                                                                                   \
        if (io_require(io_state_of(self), self, method) < 0) return NULL;                                               \
        Py_RETURN_TRUE;                                                                                                 \
    }

CHECKER(_checkSeekable, "seekable")
CHECKER(_checkReadable, "readable")
CHECKER(_checkWritable, "writable")

BUILTIN_NOARGS(iobase, isatty, "($self, /)", "Return whether this is an 'interactive' stream.")
{
    if (!io_check_closed(self)) return NULL;
    Py_RETURN_FALSE;
}

BUILTIN_NOARGS(iobase, __enter__, "($self, /)", "") { return io_check_closed(self) ? Py_NewRef(self) : NULL; }
BUILTIN_FAST(iobase, __exit__, "($self, /, *args)", "") { return io_call(self, "close"); }

/* How many bytes to read for a line: what peek() shows up to the newline, or 1. -1 with an exception. */
static Py_ssize_t bytes_to_read(PyObject *self, bool has_peek, Py_ssize_t limit, Py_ssize_t have)
{
    Py_ssize_t wanted = 1;
    while (has_peek) {
        PyObject *shown = PyObject_CallMethod(self, "peek", "i", 1);
        if (!shown) {
            if (io_trap_eintr()) continue;
            return -1;
        }
        if (!PyBytes_Check(shown)) {
            PyErr_Format(PyExc_OSError, "peek() should have returned a bytes object, not '%.200s'", Py_TYPE(shown)->tp_name);
            Py_DECREF(shown);
            return -1;
        }
        Py_ssize_t n = PyBytes_GET_SIZE(shown);
        if (n > 0) {
            const char *start = PyBytes_AS_STRING(shown), *newline;
            if (limit >= 0 && n > limit - have) n = limit - have;
            newline = memchr(start, '\n', (size_t)n);
            wanted = newline ? newline - start + 1 : n;
        }
        Py_DECREF(shown);
        break;
    }
    return wanted;
}

BUILTIN(iobase, readline, POSITIONAL, "($self, size=-1, /)",
        "Read and return a line from the stream, at most size bytes of it. The line terminator is always b'\\n' for binary files.")
{
    Py_ssize_t limit = -1;
    PyObject *peek;
    if (io_optional_size(arg[0], &limit) < 0) return NULL;
    int has_peek = PyObject_GetOptionalAttrString(self, "peek", &peek);
    if (has_peek < 0) return NULL;
    Py_XDECREF(peek);
    PyObject *line = PyByteArray_FromStringAndSize(NULL, 0), *result = NULL;
    while (line && (limit < 0 || PyByteArray_GET_SIZE(line) < limit)) {
        Py_ssize_t have = PyByteArray_GET_SIZE(line), wanted = bytes_to_read(self, has_peek, limit, have);
        if (wanted < 0) goto fail;
        PyObject *chunk = PyObject_CallMethod(self, "read", "n", wanted);
        if (!chunk) {
            if (io_trap_eintr()) continue;
            goto fail;
        }
        if (!PyBytes_Check(chunk)) {
            PyErr_Format(PyExc_OSError, "read() should have returned a bytes object, not '%.200s'", Py_TYPE(chunk)->tp_name);
            Py_DECREF(chunk);
            goto fail;
        }
        Py_ssize_t n = PyBytes_GET_SIZE(chunk);
        if (n == 0) {
            Py_DECREF(chunk);
            break;
        }
        if (PyByteArray_Resize(line, have + n) < 0) {
            Py_DECREF(chunk);
            goto fail;
        }
        memcpy(PyByteArray_AS_STRING(line) + have, PyBytes_AS_STRING(chunk), (size_t)n);
        Py_DECREF(chunk);
        if (PyByteArray_AS_STRING(line)[have + n - 1] == '\n') break;
    }
    if (line) result = PyBytes_FromStringAndSize(PyByteArray_AS_STRING(line), PyByteArray_GET_SIZE(line));
fail:
    Py_XDECREF(line);
    return result;
}

static PyObject *iobase_iter(PyObject *self) { return io_check_closed(self) ? Py_NewRef(self) : NULL; }

static PyObject *iobase_next(PyObject *self)
{
    PyObject *line = io_call(self, "readline");
    if (!line) return NULL;
    Py_ssize_t n = PyObject_Size(line);
    if (n <= 0) Py_CLEAR(line);
    return line;
}

BUILTIN(iobase, readlines, POSITIONAL, "($self, hint=-1, /)", "Return a list of lines from the stream, about hint bytes of them.")
{
    Py_ssize_t hint = -1, total = 0;
    if (io_optional_size(arg[0], &hint) < 0) return NULL;
    PyObject *lines = PyList_New(0), *it = NULL, *line;
    if (!lines) return NULL;
    if (hint <= 0) {
        PyObject *result = io_call1(lines, "extend", self);
        if (!result) Py_CLEAR(lines);
        Py_XDECREF(result);
        return lines;
    }
    if (!(it = PyObject_GetIter(self))) goto fail;
    while ((line = PyIter_Next(it))) {
        Py_ssize_t n = PyObject_Size(line);
        int status = n < 0 ? -1 : PyList_Append(lines, line);
        Py_DECREF(line);
        if (status < 0) goto fail;
        if (n > hint - total) break;
        total += n;
    }
    if (PyErr_Occurred()) goto fail;
    Py_DECREF(it);
    return lines;
fail:
    Py_XDECREF(it);
    Py_DECREF(lines);
    return NULL;
}

BUILTIN_O(iobase, writelines, "($self, lines, /)", "Write a list of lines to stream; line separators are not added.")
{
    if (!io_check_closed(self)) return NULL;
    PyObject *line, *it = PyObject_GetIter(arg);
    if (!it) return NULL;
    while ((line = PyIter_Next(it))) {
        PyObject *result;
        do result = io_call1(self, "write", line);
        while (!result && io_trap_eintr());
        Py_DECREF(line);
        if (!result) break;
        Py_DECREF(result);
    }
    Py_DECREF(it);
    if (PyErr_Occurred()) return NULL;
    Py_RETURN_NONE;
}

static PyObject *iobase_closed(PyObject *self, void *closure)
{
    int closed = marked_closed(self);
    return closed < 0 ? NULL : PyBool_FromLong(closed);
}

static PyMethodDef iobase_methods[] = {
    METHOD(iobase, seek), METHOD(iobase, tell), METHOD(iobase, truncate), METHOD(iobase, flush), METHOD(iobase, close),
    METHOD(iobase, seekable), METHOD(iobase, readable), METHOD(iobase, writable), METHOD(iobase, _checkClosed),
    METHOD(iobase, _checkSeekable), METHOD(iobase, _checkReadable), METHOD(iobase, _checkWritable), METHOD_BARE(iobase, fileno),
    METHOD(iobase, isatty), METHOD(iobase, __enter__), METHOD_BARE(iobase, __exit__), METHOD(iobase, readline), METHOD(iobase, readlines),
    METHOD(iobase, writelines),
    { 0 }
};

static PyGetSetDef iobase_getset[] = {
    { "__dict__", PyObject_GenericGetDict, NULL, NULL, NULL },
    { "closed", iobase_closed, NULL, NULL, NULL },
    { 0 }
};

static PyMemberDef iobase_members[] = {
    { "__weaklistoffset__", Py_T_PYSSIZET, offsetof(IoBase, weakrefs), Py_READONLY, NULL },
    { "__dictoffset__", Py_T_PYSSIZET, offsetof(IoBase, dict), Py_READONLY, NULL },
    { 0 }
};

static PyType_Slot iobase_slots[] = {
    { Py_tp_doc, "The abstract base class for all I/O classes: no public constructor, methods in terms of a few to be overridden." },
    { Py_tp_dealloc, iobase_dealloc }, { Py_tp_traverse, iobase_traverse }, { Py_tp_clear, iobase_clear }, { Py_tp_iter, iobase_iter },
    { Py_tp_iternext, iobase_next }, { Py_tp_methods, iobase_methods }, { Py_tp_getset, iobase_getset }, { Py_tp_members, iobase_members },
    { Py_tp_finalize, io_finalize }, { 0, NULL }
};

PyType_Spec io_base_spec = {
    "_io._IOBase", sizeof(IoBase), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE, iobase_slots
};

/* ---- _RawIOBase ------------------------------------------------------------------------------------------------------------------ */

BUILTIN(rawiobase, read, POSITIONAL, "($self, size=-1, /)", "Read and return up to size bytes, all of them when size is negative.")
{
    Py_ssize_t size = -1;
    if (arg[0]) {
        size = PyNumber_AsSsize_t(arg[0], PyExc_OverflowError);
        if (size == -1 && PyErr_Occurred()) return NULL;
    }
    if (size < 0) return io_call(self, "readall");
    PyObject *buffer = PyByteArray_FromStringAndSize(NULL, size), *bytes = NULL;
    if (!buffer) return NULL;
    PyObject *count = io_call1(self, "readinto", buffer);
    if (count && count != Py_None) {
        Py_ssize_t n = PyNumber_AsSsize_t(count, PyExc_ValueError);
        if (n == -1 && PyErr_Occurred()) ;
        else if (n < 0 || n > PyByteArray_GET_SIZE(buffer))
            PyErr_Format(PyExc_ValueError, "readinto returned %zd outside buffer size %zd", n, PyByteArray_GET_SIZE(buffer));
        else bytes = PyBytes_FromStringAndSize(PyByteArray_AS_STRING(buffer), n);
        Py_DECREF(count);
    }
    else bytes = count;
    Py_DECREF(buffer);
    return bytes;
}

BUILTIN_NOARGS(rawiobase, readall, "($self, /)", "Read until EOF, using multiple read() call.")
{
    PyObject *chunks = PyList_New(0), *result = NULL;
    while (chunks) {
        PyObject *chunk = PyObject_CallMethod(self, "read", "i", DEFAULT_BUFFER_SIZE);
        if (!chunk) {
            if (io_trap_eintr()) continue;
            goto done;
        }
        if (chunk == Py_None) {
            if (PyList_GET_SIZE(chunks) == 0) {
                Py_DECREF(chunks);
                return chunk;
            }
            Py_DECREF(chunk);
            break;
        }
        if (!PyBytes_Check(chunk)) {
            Py_DECREF(chunk);
            PyErr_SetString(PyExc_TypeError, "read() should return bytes");
            goto done;
        }
        bool end = PyBytes_GET_SIZE(chunk) == 0;
        int status = end ? 0 : PyList_Append(chunks, chunk);
        Py_DECREF(chunk);
        if (status < 0) goto done;
        if (end) break;
    }
    if (chunks) {
        PyObject *empty = PyBytes_FromStringAndSize(NULL, 0);
        if (empty) result = io_call1(empty, "join", chunks);
        Py_XDECREF(empty);
    }
done:
    Py_XDECREF(chunks);
    return result;
}

#define NOT_IMPLEMENTED(name)                                                                                           \
    BUILTIN_FAST(rawiobase, name, "($self, buffer, /)", "")                                                             \
    {                                                                                                                   \
        PyErr_SetNone(PyExc_NotImplementedError);                                                                       \
        return NULL;                                                                                                    \
    }
NOT_IMPLEMENTED(readinto)
NOT_IMPLEMENTED(write)

static PyMethodDef rawiobase_methods[] = {
    METHOD(rawiobase, read), METHOD(rawiobase, readall), METHOD_BARE(rawiobase, readinto), METHOD_BARE(rawiobase, write), { 0 }
};

static PyType_Slot rawiobase_slots[] = {
    { Py_tp_doc, "Base class for raw binary I/O." }, { Py_tp_methods, rawiobase_methods }, { 0, NULL }
};

PyType_Spec raw_io_base_spec = {
    "_io._RawIOBase", 0, 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_IMMUTABLETYPE, rawiobase_slots
};
