/* _io.BytesIO: a binary stream in memory.
 *
 * Invariant: the contents are the first `size` bytes of `bytes`. The bytes object may be shared with the caller (the initial
 * value, or what getvalue() returned) while its count is above one: then it is copied before it is changed. While buffers are
 * exported (getbuffer()) it is neither resized nor replaced. */
#include "io_private.h"

typedef struct BytesIo {
    IO_HEAD
    PyObject *bytes;                          /* NULL: closed */
    Py_ssize_t position, size, exports;
} BytesIo;

typedef struct BytesIoBuffer { PyObject_HEAD BytesIo *source; } BytesIoBuffer;

#define BYTES_IO(o) ((BytesIo *)(o))
#define DATA(self) PyBytes_AS_STRING((self)->bytes)

/* After arguments were converted: that may run code which closes the stream. */
#define CHECK_OPEN(self) do { if (!BYTES_IO(self)->bytes) { PyErr_SetString(PyExc_ValueError, "I/O operation on closed file."); return NULL; } } while (0)
#define CHECK_EXPORTS(self, fail)                                                                                       \
    do {                                                                                                                \
        if ((self)->exports > 0) {                                                                                      \
            PyErr_SetString(PyExc_BufferError, "Existing exports of data: object cannot be re-sized");                  \
            return fail;                                                                                                \
        }                                                                                                               \
    } while (0)

static bool is_shared(BytesIo *self) { return Py_REFCNT(self->bytes) > 1; }

/* An unshared bytes object of the given capacity with the same contents. 0 or -1. */
static int make_unshared(BytesIo *self, Py_ssize_t capacity)
{
    PyObject *copy = PyBytes_FromStringAndSize(NULL, capacity);
    if (!copy) return -1;
    memcpy(PyBytes_AS_STRING(copy), DATA(self), (size_t)(self->size < capacity ? self->size : capacity));
    Py_SETREF(self->bytes, copy);
    return 0;
}

/* Someone may have asked for the hash of what getvalue() returned, and let go of it again. */
static void forget_hash(PyObject *bytes)
{
    _Py_COMP_DIAG_PUSH
    _Py_COMP_DIAG_IGNORE_DEPR_DECLS
    ((PyBytesObject *)bytes)->ob_shash = -1;
    _Py_COMP_DIAG_POP
}

static int reserve(BytesIo *self, Py_ssize_t size)
{
    size_t have = (size_t)PyBytes_GET_SIZE(self->bytes), want = (size_t)size;
    if (want < have / 2) want = want + 1;                       /* give back */
    else if (want <= have) return is_shared(self) ? make_unshared(self, PyBytes_GET_SIZE(self->bytes)) : 0;
    else if (want <= have + (have >> 3)) want = want + (want >> 3) + (want < 9 ? 3 : 6);
    else want = want + 1;
    if (want > (size_t)PY_SSIZE_T_MAX) {
        PyErr_SetString(PyExc_OverflowError, "new buffer size too large");
        return -1;
    }
    if (is_shared(self)) return make_unshared(self, (Py_ssize_t)want);
    return _PyBytes_Resize(&self->bytes, (Py_ssize_t)want);
}

static Py_ssize_t write_bytes(BytesIo *self, PyObject *value)
{
    Py_buffer buffer;
    Py_ssize_t n = -1;
    if (!self->bytes) {
        io_error_closed();
        return -1;
    }
    CHECK_EXPORTS(self, -1);
    if (PyObject_GetBuffer(value, &buffer, PyBUF_CONTIG_RO) < 0) return -1;
    if (self->position > PY_SSIZE_T_MAX - buffer.len) PyErr_SetString(PyExc_OverflowError, "new position too large");
    else if (!self->bytes || self->exports > 0) PyErr_SetString(PyExc_BufferError, "Existing exports of data: object cannot be re-sized");
    else if (buffer.len == 0) n = 0;
    else {
        Py_ssize_t end = self->position + buffer.len;
        if (end > PyBytes_GET_SIZE(self->bytes) ? reserve(self, end) == 0 : !is_shared(self) || make_unshared(self, PyBytes_GET_SIZE(self->bytes)) == 0) {
            if (self->position > self->size) memset(DATA(self) + self->size, 0, (size_t)(self->position - self->size));
            forget_hash(self->bytes);
            memcpy(DATA(self) + self->position, buffer.buf, (size_t)buffer.len);
            self->position = end;
            if (self->size < end) self->size = end;
            n = buffer.len;
        }
    }
    PyBuffer_Release(&buffer);
    return n;
}

static PyObject *read_bytes(BytesIo *self, Py_ssize_t n)
{
    if (n > 1 && self->position == 0 && n == PyBytes_GET_SIZE(self->bytes) && self->exports == 0 && n == self->size) {
        self->position += n;                                    /* all of it: share */
        return Py_NewRef(self->bytes);
    }
    const char *start = n ? DATA(self) + self->position : NULL;
    self->position += n;
    return PyBytes_FromStringAndSize(start, n);
}

static Py_ssize_t available(BytesIo *self) { return self->position < self->size ? self->size - self->position : 0; }

/* Length of the line at the position, at most limit when that is not negative; moves past it. */
static Py_ssize_t scan_line(BytesIo *self, Py_ssize_t limit)
{
    Py_ssize_t n = available(self);
    if (limit >= 0 && limit < n) n = limit;
    const char *newline = n ? memchr(DATA(self) + self->position, '\n', (size_t)n) : NULL;
    return newline ? newline - (DATA(self) + self->position) + 1 : n;
}

BUILTIN_NOARGS(bytesio, readable, "($self, /)", "Returns True if the IO object can be read.") { CHECK_OPEN(self); Py_RETURN_TRUE; }
BUILTIN_NOARGS(bytesio, writable, "($self, /)", "Returns True if the IO object can be written.") { CHECK_OPEN(self); Py_RETURN_TRUE; }
BUILTIN_NOARGS(bytesio, seekable, "($self, /)", "Returns True if the IO object can be seeked.") { CHECK_OPEN(self); Py_RETURN_TRUE; }
BUILTIN_NOARGS(bytesio, flush, "($self, /)", "Does nothing.") { CHECK_OPEN(self); Py_RETURN_NONE; }
BUILTIN_NOARGS(bytesio, isatty, "($self, /)", "Always returns False.") { CHECK_OPEN(self); Py_RETURN_FALSE; }

BUILTIN_NOARGS(bytesio, tell, "($self, /)", "Current file position, an integer.")
{
    CHECK_OPEN(self);
    return PyLong_FromSsize_t(BYTES_IO(self)->position);
}

BUILTIN_NOARGS(bytesio, getvalue, "($self, /)", "Retrieve the entire contents of the BytesIO object.")
{
    BytesIo *io = BYTES_IO(self);
    CHECK_OPEN(self);
    if (io->size != PyBytes_GET_SIZE(io->bytes) && io->exports == 0) {
        if (is_shared(io)) {
            if (make_unshared(io, io->size) < 0) return NULL;
        }
        else if (_PyBytes_Resize(&io->bytes, io->size) < 0) return NULL;
    }
    if (io->size != PyBytes_GET_SIZE(io->bytes)) return PyBytes_FromStringAndSize(DATA(io), io->size);
    if (io->exports) return PyBytes_FromStringAndSize(DATA(io), io->size);
    return Py_NewRef(io->bytes);
}

BUILTIN_NOARGS(bytesio, getbuffer, "($self, /)", "Get a read-write view over the contents of the BytesIO object.")
{
    CHECK_OPEN(self);
    PyTypeObject *type = io_state_of(self)->bytes_io_buffer;
    BytesIoBuffer *buffer = (BytesIoBuffer *)type->tp_alloc(type, 0);
    if (!buffer) return NULL;
    buffer->source = (BytesIo *)Py_NewRef(self);
    PyObject *view = PyMemoryView_FromObject((PyObject *)buffer);
    Py_DECREF(buffer);
    return view;
}

static PyObject *bytesio_read_impl(PyObject *self, PyObject *value)
{
    BytesIo *io = BYTES_IO(self);
    Py_ssize_t size = -1, n;
    if (io_optional_size(value, &size) < 0) return NULL;
    CHECK_OPEN(self);
    n = available(io);
    return read_bytes(io, size < 0 || size > n ? n : size);
}

BUILTIN(bytesio, read, POSITIONAL, "($self, size=-1, /)", "Read at most size bytes, returned as a bytes object.") { return bytesio_read_impl(self, arg[0]); }
BUILTIN(bytesio, read1, POSITIONAL, "($self, size=-1, /)", "Read at most size bytes, returned as a bytes object.") { return bytesio_read_impl(self, arg[0]); }

BUILTIN(bytesio, readline, POSITIONAL, "($self, size=-1, /)", "Next line from the file, as a bytes object.")
{
    Py_ssize_t size = -1;
    if (io_optional_size(arg[0], &size) < 0) return NULL;
    CHECK_OPEN(self);
    return read_bytes(BYTES_IO(self), scan_line(BYTES_IO(self), size));
}

BUILTIN(bytesio, readlines, POSITIONAL, "($self, size=None, /)", "List of bytes objects, each a line from the file.")
{
    Py_ssize_t limit = 0, total = 0, n;
    CHECK_OPEN(self);
    if (arg[0] && arg[0] != Py_None) {
        if (!PyLong_Check(arg[0]))
            return PyErr_Format(PyExc_TypeError, "integer argument expected, got '%s'", Py_TYPE(arg[0])->tp_name);
        limit = PyLong_AsSsize_t(arg[0]);
        if (limit == -1 && PyErr_Occurred()) return NULL;
    }
    PyObject *lines = PyList_New(0);
    while (lines && (n = scan_line(BYTES_IO(self), -1)) != 0) {
        PyObject *line = read_bytes(BYTES_IO(self), n);
        if (!line || PyList_Append(lines, line) < 0) Py_CLEAR(lines);
        Py_XDECREF(line);
        total += n;
        if (limit > 0 && total >= limit) break;
    }
    return lines;
}

BUILTIN_O(bytesio, readinto, "($self, buffer, /)", "Read bytes into buffer; returns the number of bytes read.")
{
    BytesIo *io = BYTES_IO(self);
    Py_buffer buffer;
    if (!PyArg_Parse(arg, "w*:readinto", &buffer)) return NULL;
    Py_ssize_t n = -1;
    if (io->bytes) {
        n = available(io);
        if (buffer.len < n) n = buffer.len;
        if (n) memmove(buffer.buf, DATA(io) + io->position, (size_t)n);      /* the buffer may be our own */
        io->position += n;
    }
    else io_error_closed();
    PyBuffer_Release(&buffer);
    return n < 0 ? NULL : PyLong_FromSsize_t(n);
}

static PyObject *bytesio_next(PyObject *self)
{
    CHECK_OPEN(self);
    Py_ssize_t n = scan_line(BYTES_IO(self), -1);
    return n ? read_bytes(BYTES_IO(self), n) : NULL;
}

BUILTIN(bytesio, truncate, POSITIONAL, "($self, size=None, /)", "Truncate the file to at most size bytes, the current position by default.")
{
    BytesIo *io = BYTES_IO(self);
    Py_ssize_t size = io->position;
    if (io_optional_size(arg[0], &size) < 0) return NULL;
    CHECK_OPEN(self);
    CHECK_EXPORTS(io, NULL);
    if (size < 0) return PyErr_Format(PyExc_ValueError, "negative size value %zd", size);
    if (size < io->size) {
        io->size = size;
        if (reserve(io, size) < 0) return NULL;
    }
    return PyLong_FromSsize_t(size);
}

BUILTIN(bytesio, seek, POSITIONAL, "($self, pos, whence=0, /)", "Change stream position: whence 0 from the start, 1 from here, 2 from the end.")
{
    BytesIo *io = BYTES_IO(self);
    int whence = 0;
    Py_ssize_t position = PyNumber_AsSsize_t(arg[0], PyExc_OverflowError);
    if (position == -1 && PyErr_Occurred()) return NULL;
    if (arg[1] && (whence = PyLong_AsInt(arg[1])) == -1 && PyErr_Occurred()) return NULL;
    CHECK_OPEN(self);
    if (position < 0 && whence == 0) return PyErr_Format(PyExc_ValueError, "negative seek value %zd", position);
    if (whence < 0 || whence > 2) return PyErr_Format(PyExc_ValueError, "invalid whence (%i, should be 0, 1 or 2)", whence);
    Py_ssize_t from = whence == 1 ? io->position : whence == 2 ? io->size : 0;
    if (position > PY_SSIZE_T_MAX - from) return PyErr_Format(PyExc_OverflowError, "new position too large");
    position += from;
    io->position = position < 0 ? 0 : position;
    return PyLong_FromSsize_t(io->position);
}

BUILTIN_O(bytesio, write, "($self, b, /)", "Write bytes to file. Returns the number of bytes written.")
{
    Py_ssize_t n = write_bytes(BYTES_IO(self), arg);
    return n < 0 ? NULL : PyLong_FromSsize_t(n);
}

BUILTIN_O(bytesio, writelines, "($self, lines, /)", "Write lines to the file; the argument is any iterable of bytes-like objects.")
{
    CHECK_OPEN(self);
    PyObject *item, *it = PyObject_GetIter(arg);
    if (!it) return NULL;
    while ((item = PyIter_Next(it))) {
        Py_ssize_t n = write_bytes(BYTES_IO(self), item);
        Py_DECREF(item);
        if (n < 0) break;
    }
    Py_DECREF(it);
    if (PyErr_Occurred()) return NULL;
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(bytesio, close, "($self, /)", "Disable all I/O operations.")
{
    CHECK_EXPORTS(BYTES_IO(self), NULL);
    Py_CLEAR(BYTES_IO(self)->bytes);
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(bytesio, __getstate__, "($self, /)", "")
{
    PyObject *value = bytesio_getvalue(self, NULL), *dict, *state = NULL;
    if (!value) return NULL;
    dict = BYTES_IO(self)->dict ? PyDict_Copy(BYTES_IO(self)->dict) : Py_NewRef(Py_None);
    if (dict) state = Py_BuildValue("(OnN)", value, BYTES_IO(self)->position, dict);
    Py_DECREF(value);
    return state;
}

BUILTIN_O(bytesio, __setstate__, "($self, state, /)", "")
{
    BytesIo *io = BYTES_IO(self);
    if (!PyTuple_Check(arg) || PyTuple_GET_SIZE(arg) < 3)
        return PyErr_Format(PyExc_TypeError, "%.200s.__setstate__ argument should be 3-tuple, got %.200s", Py_TYPE(self)->tp_name, Py_TYPE(arg)->tp_name);
    CHECK_OPEN(self);
    CHECK_EXPORTS(io, NULL);
    io->size = io->position = 0;
    if (write_bytes(io, PyTuple_GET_ITEM(arg, 0)) < 0) return NULL;
    PyObject *position = PyTuple_GET_ITEM(arg, 1), *dict = PyTuple_GET_ITEM(arg, 2);
    if (!PyLong_Check(position))
        return PyErr_Format(PyExc_TypeError, "second item of state must be an integer, not %.200s", Py_TYPE(position)->tp_name);
    Py_ssize_t at = PyLong_AsSsize_t(position);
    if (at == -1 && PyErr_Occurred()) return NULL;
    if (at < 0) return PyErr_Format(PyExc_ValueError, "position value cannot be negative");
    io->position = at;
    if (dict != Py_None) {
        if (!PyDict_Check(dict)) return PyErr_Format(PyExc_TypeError, "third item of state should be a dict, got a %.200s", Py_TYPE(dict)->tp_name);
        if (!io->dict) io->dict = Py_NewRef(dict);
        else if (PyDict_Update(io->dict, dict) < 0) return NULL;
    }
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(bytesio, __sizeof__, "($self, /)", "")
{
    size_t size = (size_t)Py_TYPE(self)->tp_basicsize;
    PyObject *bytes = BYTES_IO(self)->bytes;
    if (bytes && Py_REFCNT(bytes) == 1) size += (size_t)PyBytes_Type.tp_basicsize + (size_t)PyBytes_GET_SIZE(bytes);
    return PyLong_FromSize_t(size);
}

static PyObject *bytesio_closed(PyObject *self, void *closure) { return PyBool_FromLong(!BYTES_IO(self)->bytes); }

static PyObject *bytesio_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    BytesIo *self = (BytesIo *)type->tp_alloc(type, 0);
    if (self && !(self->bytes = PyBytes_FromStringAndSize(NULL, 0))) Py_CLEAR(self);
    return (PyObject *)self;
}

SIGNATURE(bytesio_signature, "BytesIO", KEYWORDS, "(initial_bytes=b'')");

static int bytesio_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    BytesIo *io = BYTES_IO(self);
    PyObject *initial;
    if (args_bind_tuple(&bytesio_signature, args, kwargs, &initial) < 0) return -1;
    io->size = io->position = 0;
    CHECK_EXPORTS(io, -1);
    if (!io->bytes && !(io->bytes = PyBytes_FromStringAndSize(NULL, 0))) return -1;
    if (!initial || initial == Py_None) return 0;
    if (PyBytes_CheckExact(initial)) {
        Py_XSETREF(io->bytes, Py_NewRef(initial));
        io->size = PyBytes_GET_SIZE(initial);
    }
    else {
        if (write_bytes(io, initial) < 0) return -1;
        io->position = 0;
    }
    return 0;
}

static void bytesio_dealloc(PyObject *self)
{
    BytesIo *io = BYTES_IO(self);
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    if (io->exports > 0) {
        PyErr_SetString(PyExc_SystemError, "deallocated BytesIO object has exported buffers");
        PyErr_Print();
    }
    if (io->weakrefs) PyObject_ClearWeakRefs(self);
    Py_CLEAR(io->bytes);
    Py_CLEAR(io->dict);
    type->tp_free(self);
    Py_DECREF(type);
}

static int bytesio_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(BYTES_IO(self)->dict);
    Py_VISIT(BYTES_IO(self)->bytes);
    return 0;
}

static int bytesio_clear(PyObject *self)
{
    Py_CLEAR(BYTES_IO(self)->dict);
    if (BYTES_IO(self)->exports == 0) Py_CLEAR(BYTES_IO(self)->bytes);
    return 0;
}

static PyMethodDef bytesio_methods[] = {
    METHOD(bytesio, readable), METHOD(bytesio, writable), METHOD(bytesio, seekable), METHOD(bytesio, flush), METHOD(bytesio, isatty),
    METHOD(bytesio, tell), METHOD(bytesio, getvalue), METHOD_BARE(bytesio, getbuffer), METHOD(bytesio, read), METHOD(bytesio, read1),
    METHOD(bytesio, readline), METHOD(bytesio, readlines), METHOD(bytesio, readinto), METHOD(bytesio, truncate), METHOD(bytesio, seek),
    METHOD(bytesio, write), METHOD(bytesio, writelines), METHOD(bytesio, close), METHOD(bytesio, __getstate__),
    METHOD(bytesio, __setstate__), METHOD(bytesio, __sizeof__),
    { 0 }
};

static PyGetSetDef bytesio_getset[] = { { "closed", bytesio_closed, NULL, "True if the file is closed.", NULL }, { 0 } };

static PyMemberDef bytesio_members[] = {
    { "__weaklistoffset__", Py_T_PYSSIZET, offsetof(BytesIo, weakrefs), Py_READONLY, NULL },
    { "__dictoffset__", Py_T_PYSSIZET, offsetof(BytesIo, dict), Py_READONLY, NULL },
    { 0 }
};

static PyType_Slot bytesio_slots[] = {
    { Py_tp_doc, "BytesIO(initial_bytes=b'')\n--\n\nBuffered I/O implementation using an in-memory bytes buffer." },
    { Py_tp_new, bytesio_new }, { Py_tp_init, bytesio_init }, { Py_tp_dealloc, bytesio_dealloc }, { Py_tp_traverse, bytesio_traverse },
    { Py_tp_clear, bytesio_clear }, { Py_tp_iter, PyObject_SelfIter }, { Py_tp_iternext, bytesio_next },
    { Py_tp_methods, bytesio_methods }, { Py_tp_getset, bytesio_getset }, { Py_tp_members, bytesio_members }, { 0, NULL }
};

PyType_Spec bytes_io_spec = {
    "_io.BytesIO", sizeof(BytesIo), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE, bytesio_slots
};

/* ---- what getbuffer() exports --------------------------------------------------------------------------------------------- */

static int buffer_get(PyObject *self, Py_buffer *view, int flags)
{
    BytesIo *io = ((BytesIoBuffer *)self)->source;
    if (!view) {
        PyErr_SetString(PyExc_BufferError, "bytesiobuf_getbuffer: view==NULL argument is obsolete");
        return -1;
    }
    if (io->exports == 0 && is_shared(io) && make_unshared(io, io->size) < 0) return -1;
    (void)PyBuffer_FillInfo(view, self, DATA(io), io->size, 0, flags);
    io->exports++;
    return 0;
}

static void buffer_release(PyObject *self, Py_buffer *view) { ((BytesIoBuffer *)self)->source->exports--; }

static void buffer_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    Py_CLEAR(((BytesIoBuffer *)self)->source);
    type->tp_free(self);
    Py_DECREF(type);
}

static int buffer_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((BytesIoBuffer *)self)->source);
    return 0;
}

static PyType_Slot buffer_slots[] = {
    { Py_tp_dealloc, buffer_dealloc }, { Py_tp_traverse, buffer_traverse }, { Py_bf_getbuffer, buffer_get },
    { Py_bf_releasebuffer, buffer_release }, { 0, NULL }
};

PyType_Spec bytes_io_buffer_spec = {
    "_io._BytesIOBuffer", sizeof(BytesIoBuffer), 0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION, buffer_slots
};
