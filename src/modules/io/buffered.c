/* _io.BufferedReader, BufferedWriter, BufferedRandom: one buffer between the caller and a raw stream.
 *
 *     raw stream      ...............[r r r r r r r r]...........
 *     buffer                         0     pos    read_end            (reading; raw_position == read_end once filled)
 *     pending writes                   [write_pos, write_end)
 *
 * Invariants: all offsets are into `buffer`; `position` is where the caller is. read_end == -1: nothing was read; write_end == -1:
 * nothing is to be written. absolute is the raw stream's position, raw_position the same as an offset into the buffer.
 * One lock serialises threads, released around the raw stream's calls only by the GIL; the owner that enters again (from a
 * signal handler) gets RuntimeError. */
#include "buffered.h"

#include "runtime/errors.h"

#define CHECK_INITIALIZED(self, fail)                                                                                   \
    do {                                                                                                                \
        if (UNLIKELY((self)->ok <= 0)) {                                                                                \
            PyErr_SetString(PyExc_ValueError, (self)->detached ? "raw stream has been detached" : "I/O operation on uninitialized object"); \
            return fail;                                                                                                \
        }                                                                                                               \
    } while (0)

#define VALID_READ(self)  ((self)->readable && (self)->read_end != -1)
#define VALID_WRITE(self) ((self)->writable && (self)->write_end != -1)
#define READAHEAD(self)   (VALID_READ(self) ? (self)->read_end - (self)->position : 0)
#define RAW_OFFSET(self)  ((VALID_READ(self) || VALID_WRITE(self)) && (self)->raw_position >= 0 ? (self)->raw_position - (self)->position : 0)

/* ---- the lock ------------------------------------------------------------------------------------------------------------ */

static COLD bool enter_slow(Buffered *self)
{
    if (self->owner == PyThread_get_thread_ident()) {
        PyErr_Format(PyExc_RuntimeError, "reentrant call inside %R", self);
        return false;
    }
    Py_BEGIN_ALLOW_THREADS
    PyThread_acquire_lock(self->lock, 1);
    Py_END_ALLOW_THREADS
    return true;
}

static inline bool enter(Buffered *self)
{
    if (UNLIKELY(!PyThread_acquire_lock(self->lock, 0)) && !enter_slow(self)) return false;
    self->owner = PyThread_get_thread_ident();
    return true;
}

static inline void leave(Buffered *self)
{
    self->owner = 0;
    PyThread_release_lock(self->lock);
}

/* Takes the lock for work with the buffer: whoever had it, or code that ran since the caller looked, may have closed the
 * stream or detached it. */
static inline bool enter_open(Buffered *self, const char *message)
{
    if (!enter(self)) return false;
    if (LIKELY(self->ok > 0 && self->buffer)) return true;
    leave(self);
    PyErr_SetString(PyExc_ValueError, self->detached ? "raw stream has been detached" : message);
    return false;
}

/* 0, 1 or -1. */
static int raw_is_closed(Buffered *self)
{
    if (self->fast_closed) {
        PyObject *closed = PyObject_GetAttrString(self->raw, "closed");
        return io_truth(closed);
    }
    PyObject *closed = PyObject_GetAttrString((PyObject *)self, "closed");
    return io_truth(closed);
}

static int buffered_check_open(Buffered *self, const char *message)
{
    int closed = self->buffer ? raw_is_closed(self) : 1;
    if (closed < 0) return -1;
    if (closed && READAHEAD(self) == 0) {
        PyErr_SetString(PyExc_ValueError, message);
        return -1;
    }
    return 0;
}

#define CHECK_OPEN(self, message) do { if (buffered_check_open(self, message) < 0) return NULL; } while (0)

/* ---- the raw stream -------------------------------------------------------------------------------------------------------- */

static off_t raw_tell(Buffered *self)
{
    PyObject *result = io_call(self->raw, "tell");
    if (!result) return -1;
    off_t n = io_offset(result, PyExc_ValueError);
    Py_DECREF(result);
    if (n < 0) {
        if (!PyErr_Occurred()) PyErr_Format(PyExc_OSError, "Raw stream returned invalid position %lld", (long long)n);
        return -1;
    }
    return self->absolute = n;
}

static off_t raw_seek(Buffered *self, off_t target, int whence)
{
    PyObject *result = PyObject_CallMethod(self->raw, "seek", "Li", (long long)target, whence);
    if (!result) return -1;
    off_t n = io_offset(result, PyExc_ValueError);
    Py_DECREF(result);
    if (n < 0) {
        if (!PyErr_Occurred()) PyErr_Format(PyExc_OSError, "Raw stream returned invalid position %lld", (long long)n);
        return -1;
    }
    return self->absolute = n;
}

/* Whoever keeps the view must not see memory that is reused. The exception that is set stays. */
static void release_view(PyObject *view)
{
    PyObject *error = PyErr_GetRaisedException(), *released = io_call(view, "release");
    if (!released) PyErr_Clear();             /* someone exported it: nothing to be done */
    Py_XDECREF(released);
    PyErr_SetRaisedException(error);
    Py_DECREF(view);
}

/* Bytes read into start; 0 at the end, -2 when it would block, -1 with an exception. */
static Py_ssize_t raw_read(Buffered *self, char *start, Py_ssize_t length)
{
    PyObject *view = PyMemoryView_FromMemory(start, length, PyBUF_WRITE), *result;
    if (!view) return -1;
    do result = io_call1(self->raw, "readinto", view);
    while (!result && io_trap_eintr());
    release_view(view);
    if (!result) return -1;
    if (result == Py_None) {
        Py_DECREF(result);
        return -2;
    }
    Py_ssize_t n = PyNumber_AsSsize_t(result, PyExc_ValueError);
    Py_DECREF(result);
    if (n == -1 && PyErr_Occurred()) {
        errors_format_from_cause(PyExc_OSError, "raw readinto() failed");
        return -1;
    }
    if (n < 0 || n > length) {
        PyErr_Format(PyExc_OSError, "raw readinto() returned invalid length %zd (should have been between 0 and %zd)", n, length);
        return -1;
    }
    if (n > 0 && self->absolute != -1) self->absolute += n;
    return n;
}

static Py_ssize_t raw_write(Buffered *self, char *start, Py_ssize_t length)
{
    PyObject *view = PyMemoryView_FromMemory(start, length, PyBUF_READ), *result;
    int saved;
    if (!view) return -1;
    do {
        errno = 0;
        result = io_call1(self->raw, "write", view);
        saved = errno;
    } while (!result && io_trap_eintr());
    release_view(view);
    if (!result) return -1;
    if (result == Py_None) {
        Py_DECREF(result);
        errno = saved;
        return -2;
    }
    Py_ssize_t n = PyNumber_AsSsize_t(result, PyExc_ValueError);
    Py_DECREF(result);
    if (n < 0 || n > length) {
        if (!PyErr_Occurred())
            PyErr_Format(PyExc_OSError, "raw write() returned invalid length %zd (should have been between 0 and %zd)", n, length);
        return -1;
    }
    if (n > 0 && self->absolute != -1) self->absolute += n;
    return n;
}

/* ---- the buffer -------------------------------------------------------------------------------------------------------------- */

static void reset_read(Buffered *self) { self->read_end = -1; }

static void reset_write(Buffered *self)
{
    self->write_pos = 0;
    self->write_end = -1;
}

static void adjust_position(Buffered *self, off_t position)
{
    self->position = position;
    if (VALID_READ(self) && self->read_end < self->position) self->read_end = self->position;
}

static Py_ssize_t fill(Buffered *self)
{
    off_t start = VALID_READ(self) ? self->read_end : 0;
    Py_ssize_t n = raw_read(self, self->buffer + start, self->buffer_size - (Py_ssize_t)start);
    if (n <= 0) return n;
    self->read_end = self->raw_position = start + n;
    return n;
}

static COLD PyObject *would_block(const char *message, Py_ssize_t written)
{
    PyObject *error = PyObject_CallFunction(PyExc_BlockingIOError, "isn", errno, message, written);
    if (error) PyErr_SetObject(PyExc_BlockingIOError, error);
    Py_XDECREF(error);
    return NULL;
}

/* Writes out what is pending. The lock is held. 0 or -1. */
static int flush_writes(Buffered *self)
{
    if (!VALID_WRITE(self) || self->write_pos == self->write_end) goto done;
    off_t rewind = RAW_OFFSET(self) + (self->position - self->write_pos);
    if (rewind != 0) {
        if (raw_seek(self, -rewind, 1) < 0) return -1;
        self->raw_position -= rewind;
    }
    while (self->write_pos < self->write_end) {
        Py_ssize_t n = raw_write(self, self->buffer + self->write_pos, (Py_ssize_t)(self->write_end - self->write_pos));
        if (n == -1) return -1;
        if (n == -2) {
            would_block("write could not complete without blocking", 0);
            return -1;
        }
        self->write_pos += n;
        self->raw_position = self->write_pos;
        /* Partial writes can return successfully when interrupted by a signal: its handler runs now. */
        if (PyErr_CheckSignals() < 0) return -1;
    }
done:
    reset_write(self);
    return 0;
}

static int flush_and_rewind(Buffered *self)
{
    if (flush_writes(self) < 0) return -1;
    if (self->readable) {
        /* the raw stream goes back to where the caller is */
        off_t n = raw_seek(self, -RAW_OFFSET(self), 1);
        reset_read(self);
        if (n < 0) return -1;
    }
    return 0;
}

static int init_buffer(Buffered *self)
{
    if (self->buffer_size <= 0) {
        PyErr_SetString(PyExc_ValueError, "buffer size must be strictly positive");
        return -1;
    }
    PyMem_Free(self->buffer);
    if (!(self->buffer = PyMem_Malloc((size_t)self->buffer_size))) {
        PyErr_NoMemory();
        return -1;
    }
    self->absolute = -1;
    if (raw_tell(self) < 0) PyErr_Clear();
    return 0;
}

/* ---- life ---------------------------------------------------------------------------------------------------------------------- */

static int set_up(Buffered *self, PyObject *raw, Py_ssize_t size, PyTypeObject *exact)
{
    Py_XSETREF(self->raw, Py_NewRef(raw));
    self->buffer_size = size;
    if (init_buffer(self) < 0) return -1;
    self->fast_closed = Py_IS_TYPE((PyObject *)self, exact) && file_io_exact(io_state_of_type(exact), raw);
    return 0;
}

SIGNATURE(reader_signature, "BufferedReader", KEYWORDS, "(raw, buffer_size=8192)");
SIGNATURE(writer_signature, "BufferedWriter", KEYWORDS, "(raw, buffer_size=8192)");
SIGNATURE(random_signature, "BufferedRandom", KEYWORDS, "(raw, buffer_size=8192)");

/* exact: the type whose instances, over an exact FileIO, are closed without a look at their attributes. */
static int init_locked(Buffered *self, PyObject *raw, Py_ssize_t size, bool readable, bool writable, PyTypeObject *exact)
{
    IoState *state = io_state_of_type(exact);
    self->ok = self->detached = 0;
    if (readable && writable && io_require(state, raw, "seekable") < 0) return -1;
    if ((readable && io_require(state, raw, "readable") < 0) || (writable && io_require(state, raw, "writable") < 0)) return -1;
    self->readable = readable;
    self->writable = writable;
    if (set_up(self, raw, size, exact) < 0) return -1;
    reset_read(self);
    if (writable) reset_write(self);
    self->position = self->raw_position = 0;
    self->ok = 1;
    return 0;
}

static int init(PyObject *o, Signature *signature, PyObject *args, PyObject *kwargs, bool readable, bool writable, PyTypeObject *exact)
{
    Buffered *self = BUFFERED(o);
    PyObject *arg[2];
    Py_ssize_t size = DEFAULT_BUFFER_SIZE;
    if (args_bind_tuple(signature, args, kwargs, arg) < 0) return -1;
    if (arg[1] && (size = PyNumber_AsSsize_t(arg[1], PyExc_OverflowError)) == -1 && PyErr_Occurred()) return -1;
    /* The lock lives as long as the object: threads may wait for it while one calls __init__ again. */
    if (!self->lock && !(self->lock = PyThread_allocate_lock())) {
        PyErr_SetString(PyExc_RuntimeError, "can't allocate read lock");
        return -1;
    }
    if (!enter(self)) return -1;
    int status = init_locked(self, arg[0], size, readable, writable, exact);
    leave(self);
    return status;
}

static int reader_init(PyObject *o, PyObject *args, PyObject *kwargs)
{
    return init(o, &reader_signature, args, kwargs, true, false, io_state_of(o)->buffered_reader);
}

static int writer_init(PyObject *o, PyObject *args, PyObject *kwargs)
{
    return init(o, &writer_signature, args, kwargs, false, true, io_state_of(o)->buffered_writer);
}

static int random_init(PyObject *o, PyObject *args, PyObject *kwargs)
{
    return init(o, &random_signature, args, kwargs, true, true, io_state_of(o)->buffered_random);
}

static void buffered_dealloc(PyObject *o)
{
    Buffered *self = BUFFERED(o);
    PyTypeObject *type = Py_TYPE(o);
    self->finalizing = true;
    if (PyObject_CallFinalizerFromDealloc(o) < 0) return;
    PyObject_GC_UnTrack(o);
    self->ok = 0;
    if (self->weakrefs) PyObject_ClearWeakRefs(o);
    PyMem_Free(self->buffer);
    self->buffer = NULL;
    if (self->lock) PyThread_free_lock(self->lock);
    Py_CLEAR(self->raw);
    Py_CLEAR(self->dict);
    type->tp_free(o);
    Py_DECREF(type);
}

static int buffered_traverse(PyObject *o, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(o));
    Py_VISIT(BUFFERED(o)->raw);
    Py_VISIT(BUFFERED(o)->dict);
    return 0;
}

static int buffered_clear(PyObject *o)
{
    BUFFERED(o)->ok = 0;
    Py_CLEAR(BUFFERED(o)->raw);
    Py_CLEAR(BUFFERED(o)->dict);
    return 0;
}

/* ---- forwarding ------------------------------------------------------------------------------------------------------------------ */

#define FORWARD(name, text)                                                                                             \
    BUILTIN_NOARGS(buffered, name, "($self, /)", text)                                                                  \
    {                                                                                                                   \
        CHECK_INITIALIZED(BUFFERED(self), NULL);                                                                        \
        return io_call(BUFFERED(self)->raw, #name);                                                                     \
    }

FORWARD(seekable, "")
FORWARD(readable, "")
FORWARD(writable, "")
FORWARD(fileno, "")
FORWARD(isatty, "")

BUILTIN_O(buffered, _dealloc_warn, "($self, source, /)", "")
{
    if (BUFFERED(self)->ok && BUFFERED(self)->raw) {
        PyObject *result = io_call1(BUFFERED(self)->raw, "_dealloc_warn", arg);
        if (result) Py_DECREF(result);
        else PyErr_Clear();
    }
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(buffered, simple_flush, "($self, /)", "")
{
    CHECK_INITIALIZED(BUFFERED(self), NULL);
    return io_call(BUFFERED(self)->raw, "flush");
}

BUILTIN_NOARGS(buffered, flush, "($self, /)", "")
{
    Buffered *b = BUFFERED(self);
    CHECK_INITIALIZED(b, NULL);
    CHECK_OPEN(b, "flush of closed file");
    if (!enter_open(b, "flush of closed file")) return NULL;
    int status = flush_and_rewind(b);
    leave(b);
    if (status < 0) return NULL;
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(buffered, close, "($self, /)", "")
{
    Buffered *b = BUFFERED(self);
    CHECK_INITIALIZED(b, NULL);
    if (!enter(b)) return NULL;
    int closed = raw_is_closed(b);
    PyObject *result = NULL, *error = NULL;
    if (closed < 0) goto done;
    if (closed) {
        result = Py_NewRef(Py_None);
        goto done;
    }
    if (b->finalizing && b->raw) {
        PyObject *warned = io_call1(b->raw, "_dealloc_warn", self);
        if (warned) Py_DECREF(warned);
        else PyErr_Clear();
    }
    leave(b);                                           /* flush takes the lock for itself */
    result = io_call(self, "flush");
    if (!enter(b)) {
        Py_XDECREF(result);
        return NULL;
    }
    if (!result) error = PyErr_GetRaisedException();
    Py_XSETREF(result, io_call(b->raw, "close"));
    PyMem_Free(b->buffer);
    b->buffer = NULL;
    if (error) {
        if (!result) {
            PyObject *later = PyErr_GetRaisedException();
            PyException_SetContext(later, error);
            PyErr_SetRaisedException(later);
        }
        else PyErr_SetRaisedException(error);
        Py_CLEAR(result);
    }
    b->read_end = b->position = 0;
done:
    leave(b);
    return result;
}

BUILTIN_NOARGS(buffered, detach, "($self, /)", "Disconnect this buffer from its underlying raw stream and return it.")
{
    Buffered *b = BUFFERED(self);
    CHECK_INITIALIZED(b, NULL);
    PyObject *flushed = io_call(self, "flush");
    if (!flushed) return NULL;
    Py_DECREF(flushed);
    if (!enter_open(b, "detach of closed file")) return NULL;    /* a flush() of a subclass may have done anything */
    PyObject *raw = b->raw;
    b->raw = NULL;
    b->detached = 1;
    b->ok = 0;
    leave(b);
    return raw;
}

/* ---- reading ------------------------------------------------------------------------------------------------------------------------ */

static PyObject *read_all(Buffered *self)
{
    Py_ssize_t have = READAHEAD(self);
    PyObject *data = NULL, *result = NULL, *readall = NULL, *rest = NULL, *chunks = NULL;
    if (have) {
        if (!(data = PyBytes_FromStringAndSize(self->buffer + self->position, have))) return NULL;
        self->position += have;
    }
    if (self->writable && flush_and_rewind(self) < 0) goto done;
    reset_read(self);
    if (PyObject_GetOptionalAttrString(self->raw, "readall", &readall) < 0) goto done;
    if (readall) {
        if (!(rest = PyObject_CallNoArgs(readall))) goto done;
        if (rest != Py_None && !PyBytes_Check(rest)) {
            PyErr_SetString(PyExc_TypeError, "readall() should return bytes");
            goto done;
        }
        if (self->absolute != -1 && rest != Py_None) self->absolute += PyBytes_GET_SIZE(rest);
        if (!have) result = Py_NewRef(rest);
        else if (rest == Py_None) result = Py_NewRef(data);
        else {
            PyBytes_Concat(&data, rest);
            result = Py_XNewRef(data);
        }
        goto done;
    }
    if (!(chunks = PyList_New(0))) goto done;
    for (;;) {
        if (data && PyList_Append(chunks, data) < 0) goto done;
        Py_CLEAR(data);
        if (!(data = io_call(self->raw, "read"))) goto done;
        if (data != Py_None && !PyBytes_Check(data)) {
            PyErr_SetString(PyExc_TypeError, "read() should return bytes");
            goto done;
        }
        if (data == Py_None || PyBytes_GET_SIZE(data) == 0) {
            if (PyList_GET_SIZE(chunks) == 0) result = Py_NewRef(data);
            else {
                PyObject *empty = PyBytes_FromStringAndSize(NULL, 0);
                if (empty) result = io_call1(empty, "join", chunks);
                Py_XDECREF(empty);
            }
            goto done;
        }
        if (self->absolute != -1) self->absolute += PyBytes_GET_SIZE(data);
    }
done:
    Py_XDECREF(chunks);
    Py_XDECREF(rest);
    Py_XDECREF(readall);
    Py_XDECREF(data);
    return result;
}

/* The end (0), or it would block (-2): what was read so far; None when that is nothing. Steals bytes. */
static PyObject *read_short(PyObject *bytes, Py_ssize_t written, Py_ssize_t why)
{
    if (why == 0 || written > 0) {
        _PyBytes_Resize(&bytes, written);
        return bytes;
    }
    Py_DECREF(bytes);
    Py_RETURN_NONE;
}

/* n bytes, reading as often as it takes. */
static PyObject *read_many(Buffered *self, Py_ssize_t n)
{
    Py_ssize_t have = READAHEAD(self), remaining = n, written = 0;
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, n);
    if (!bytes) return NULL;
    char *out = PyBytes_AS_STRING(bytes);
    if (have > 0) {
        memcpy(out, self->buffer + self->position, (size_t)have);
        remaining -= have;
        written += have;
        self->position += have;
    }
    if (self->writable && flush_and_rewind(self) < 0) goto fail;
    reset_read(self);
    while (remaining > 0) {
        Py_ssize_t whole = remaining - remaining % self->buffer_size;   /* whole buffers go straight to the caller */
        if (whole == 0) break;
        Py_ssize_t r = raw_read(self, out + written, whole);
        if (r == -1) goto fail;
        if (r == 0 || r == -2) return read_short(bytes, written, r);
        remaining -= r;
        written += r;
    }
    self->position = self->raw_position = 0;
    self->read_end = 0;
    while (remaining > 0 && self->read_end < self->buffer_size) {
        Py_ssize_t r = fill(self);
        if (r == -1) goto fail;
        if (r == 0 || r == -2) return read_short(bytes, written, r);
        Py_ssize_t take = remaining > r ? r : remaining;
        memcpy(out + written, self->buffer + self->position, (size_t)take);
        written += take;
        self->position += take;
        remaining -= take;
    }
    return bytes;
fail:
    Py_DECREF(bytes);
    return NULL;
}

static PyObject *read_fast(Buffered *self, Py_ssize_t n)
{
    if (n > READAHEAD(self)) return NULL;
    PyObject *bytes = PyBytes_FromStringAndSize(self->buffer + self->position, n);
    if (bytes) self->position += n;
    return bytes;
}

BUILTIN(buffered, read, POSITIONAL, "($self, size=-1, /)", "")
{
    Buffered *b = BUFFERED(self);
    Py_ssize_t n = -1;
    PyObject *result;
    CHECK_INITIALIZED(b, NULL);
    if (io_optional_size(arg[0], &n) < 0) return NULL;
    if (n < -1) return PyErr_Format(PyExc_ValueError, "read length must be non-negative or -1");
    CHECK_OPEN(b, "read of closed file");
    if (!enter_open(b, "read of closed file")) return NULL;
    result = n == -1 ? read_all(b) : n <= READAHEAD(b) ? read_fast(b, n) : read_many(b, n);
    leave(b);
    return result;
}

BUILTIN(buffered, read1, POSITIONAL, "($self, size=-1, /)", "")
{
    Buffered *b = BUFFERED(self);
    Py_ssize_t n = -1;
    CHECK_INITIALIZED(b, NULL);
    if (arg[0]) {
        n = PyNumber_AsSsize_t(arg[0], PyExc_OverflowError);
        if (n == -1 && PyErr_Occurred()) return NULL;
    }
    if (n < 0) n = b->buffer_size;
    CHECK_OPEN(b, "read of closed file");
    if (n == 0) return PyBytes_FromStringAndSize(NULL, 0);
    if (!enter_open(b, "read of closed file")) return NULL;
    Py_ssize_t have = READAHEAD(b);
    PyObject *bytes;
    if (have > 0) bytes = read_fast(b, have < n ? have : n);
    else if ((bytes = PyBytes_FromStringAndSize(NULL, n))) {
        Py_ssize_t r = b->writable && flush_and_rewind(b) < 0 ? -1 : 0;
        reset_read(b);
        if (r == 0) r = raw_read(b, PyBytes_AS_STRING(bytes), n);
        if (r == -1) Py_CLEAR(bytes);
        else if (r != n) _PyBytes_Resize(&bytes, r == -2 ? 0 : r);
    }
    leave(b);
    return bytes;
}

static PyObject *read_into(Buffered *b, PyObject *target, bool once)
{
    Py_buffer buffer;
    CHECK_INITIALIZED(b, NULL);
    if (!PyArg_Parse(target, "w*", &buffer)) return NULL;
    PyObject *result = NULL;
    Py_ssize_t written = 0, r = 0;
    if (buffered_check_open(b, "readinto of closed file") < 0 || !enter_open(b, "readinto of closed file")) goto release;
    Py_ssize_t have = READAHEAD(b);
    if (have > 0) {
        if (have >= buffer.len) {
            memcpy(buffer.buf, b->buffer + b->position, (size_t)buffer.len);
            b->position += buffer.len;
            result = PyLong_FromSsize_t(buffer.len);
            goto unlock;
        }
        memcpy(buffer.buf, b->buffer + b->position, (size_t)have);
        b->position += have;
        written = have;
    }
    if (b->writable && flush_and_rewind(b) < 0) goto unlock;
    reset_read(b);
    b->position = 0;
    for (Py_ssize_t remaining = buffer.len - written; remaining > 0; remaining -= r) {
        if (remaining > b->buffer_size) r = raw_read(b, (char *)buffer.buf + written, remaining);
        else if (!(once && written)) {                  /* buffer the rest, so that a later read finds it */
            r = fill(b);
            if (r > 0) {
                Py_ssize_t take = remaining > r ? r : remaining;
                memcpy((char *)buffer.buf + written, b->buffer + b->position, (size_t)take);
                b->position += take;
                r = take;
            }
        }
        else r = 0;
        if (r == 0 || (r == -2 && written > 0)) break;
        if (r < 0) {
            if (r == -2) result = Py_NewRef(Py_None);
            goto unlock;
        }
        written += r;
        if (b->position >= b->read_end) {
            reset_read(b);
            b->position = 0;
        }
        if (once) break;
    }
    result = PyLong_FromSsize_t(written);
unlock:
    leave(b);
release:
    PyBuffer_Release(&buffer);
    return result;
}

BUILTIN_O(buffered, readinto, "($self, buffer, /)", "") { return read_into(BUFFERED(self), arg, false); }
BUILTIN_O(buffered, readinto1, "($self, buffer, /)", "") { return read_into(BUFFERED(self), arg, true); }

BUILTIN(buffered, peek, POSITIONAL, "($self, size=0, /)", "")
{
    Buffered *b = BUFFERED(self);
    CHECK_INITIALIZED(b, NULL);
    CHECK_OPEN(b, "peek of closed file");
    if (arg[0] && PyNumber_AsSsize_t(arg[0], PyExc_OverflowError) == -1 && PyErr_Occurred()) return NULL;
    if (!enter_open(b, "peek of closed file")) return NULL;
    PyObject *result = NULL;
    if (b->writable && flush_and_rewind(b) < 0) goto done;
    Py_ssize_t have = READAHEAD(b);
    if (have > 0) result = PyBytes_FromStringAndSize(b->buffer + b->position, have);
    else {
        reset_read(b);
        Py_ssize_t r = fill(b);
        if (r == -1) goto done;
        b->position = 0;
        result = PyBytes_FromStringAndSize(b->buffer, r == -2 ? 0 : r);
    }
done:
    leave(b);
    return result;
}

/* The bytes of a line that are in the buffer, at most limit of them; *whole: no others belong to it. */
static Py_ssize_t line_in_buffer(const Buffered *self, Py_ssize_t limit, bool *whole)
{
    Py_ssize_t n = READAHEAD(self);
    if (limit >= 0 && n > limit) n = limit;
    const char *start = self->buffer + self->position, *found = n > 0 ? memchr(start, '\n', (size_t)n) : NULL;
    *whole = found || (n == limit && n > 0);
    return found ? found - start + 1 : n;
}

/* One line; limit -1: none. */
static PyObject *read_line(Buffered *self, Py_ssize_t limit)
{
    PyObject *chunks = NULL, *result = NULL, *part;
    bool whole;
    if (buffered_check_open(self, "readline of closed file") < 0) return NULL;
    Py_ssize_t n = line_in_buffer(self, limit, &whole);
    const char *start, *found;
    if (whole) {                                        /* the common case: the whole line is here */
        if ((result = PyBytes_FromStringAndSize(self->buffer + self->position, n))) self->position += n;
        return result;
    }
    if (!enter_open(self, "readline of closed file")) return NULL;
    n = line_in_buffer(self, limit, &whole);            /* another thread may have read meanwhile */
    start = self->buffer + self->position;
    if (whole) {
        if ((result = PyBytes_FromStringAndSize(start, n))) self->position += n;
        goto done;
    }
    if (!(chunks = PyList_New(0))) goto done;
    if (n > 0) {
        if (!(part = PyBytes_FromStringAndSize(start, n))) goto done;
        int status = PyList_Append(chunks, part);
        Py_DECREF(part);
        if (status < 0) goto done;
        self->position += n;
        if (limit >= 0) limit -= n;
    }
    if (self->writable && flush_and_rewind(self) < 0) goto done;
    while (limit) {
        reset_read(self);
        n = fill(self);
        if (n == -1) goto done;
        if (n <= 0) break;
        if (limit >= 0 && n > limit) n = limit;
        start = self->buffer;
        found = memchr(start, '\n', (size_t)n);
        if (found) n = found - start + 1;
        if (!(part = PyBytes_FromStringAndSize(start, n))) goto done;
        int status = PyList_Append(chunks, part);
        Py_DECREF(part);
        if (status < 0) goto done;
        self->position = n;
        if (found) break;
        if (limit >= 0) limit -= n;
    }
    part = PyBytes_FromStringAndSize(NULL, 0);
    if (part) result = PyList_GET_SIZE(chunks) == 1 ? Py_NewRef(PyList_GET_ITEM(chunks, 0)) : io_call1(part, "join", chunks);
    Py_XDECREF(part);
done:
    leave(self);
    Py_XDECREF(chunks);
    return result;
}

BUILTIN(buffered, readline, POSITIONAL, "($self, size=-1, /)", "")
{
    Py_ssize_t n = -1;
    CHECK_INITIALIZED(BUFFERED(self), NULL);
    if (io_optional_size(arg[0], &n) < 0) return NULL;
    return read_line(BUFFERED(self), n);
}

static PyObject *buffered_next(PyObject *o)
{
    Buffered *self = BUFFERED(o);
    CHECK_INITIALIZED(self, NULL);
    IoState *state = io_state_of(o);
    PyObject *line;
    if (Py_IS_TYPE(o, state->buffered_reader) || Py_IS_TYPE(o, state->buffered_random)) line = read_line(self, -1);
    else {
        line = io_call(o, "readline");
        if (line && !PyBytes_Check(line)) {
            PyErr_Format(PyExc_OSError, "readline() should have returned a bytes object, not '%.200s'", Py_TYPE(line)->tp_name);
            Py_CLEAR(line);
        }
    }
    if (line && PyBytes_GET_SIZE(line) == 0) Py_CLEAR(line);
    return line;
}

/* ---- position -------------------------------------------------------------------------------------------------------------------------- */

BUILTIN_NOARGS(buffered, tell, "($self, /)", "")
{
    Buffered *b = BUFFERED(self);
    CHECK_INITIALIZED(b, NULL);
    off_t position = raw_tell(b);
    if (position == -1) return NULL;
    position -= RAW_OFFSET(b);
    if (position < 0) position = 0;
    return PyLong_FromLongLong(position);
}

BUILTIN(buffered, seek, POSITIONAL, "($self, target, whence=0, /)", "")
{
    Buffered *b = BUFFERED(self);
    int whence = 0;
    CHECK_INITIALIZED(b, NULL);
    if (arg[1] && (whence = PyLong_AsInt(arg[1])) == -1 && PyErr_Occurred()) return NULL;
    if (whence < 0 || whence > 4 || whence == 5) return PyErr_Format(PyExc_ValueError, "whence value %d unsupported", whence);
    CHECK_OPEN(b, "seek of closed file");
    if (io_require(io_state_of(self), b->raw, "seekable") < 0) return NULL;
    off_t target = io_offset(arg[0], PyExc_ValueError);
    if (target == -1 && PyErr_Occurred()) return NULL;
    if ((whence == 0 || whence == 1) && b->readable) {
        /* a target inside the buffer needs no system call */
        off_t current = b->absolute != -1 ? b->absolute : raw_tell(b);
        if (current == -1) return NULL;
        Py_ssize_t have = READAHEAD(b);
        if (have > 0) {
            off_t offset = whence == 0 ? target - (current - RAW_OFFSET(b)) : target;
            if (offset >= -b->position && offset <= have) {
                b->position += offset;
                off_t result = current - have + offset;
                return PyLong_FromLongLong(result < 0 ? 0 : result);
            }
        }
    }
    if (!enter_open(b, "seek of closed file")) return NULL;
    PyObject *result = NULL;
    if (b->writable && flush_writes(b) < 0) goto done;
    if (whence == 1) target -= RAW_OFFSET(b);
    off_t position = raw_seek(b, target, whence);
    if (position == -1) goto done;
    b->raw_position = -1;
    result = PyLong_FromLongLong(position);
    if (result && b->readable) reset_read(b);
done:
    leave(b);
    return result;
}

BUILTIN(buffered, truncate, POSITIONAL, "($self, pos=None, /)", "")
{
    Buffered *b = BUFFERED(self);
    CHECK_INITIALIZED(b, NULL);
    CHECK_OPEN(b, "truncate of closed file");
    if (!b->writable) return io_unsupported(io_state_of(self), "truncate");
    if (!enter_open(b, "truncate of closed file")) return NULL;
    PyObject *result = NULL;
    if (flush_and_rewind(b) == 0) {
        result = io_call1(b->raw, "truncate", arg[0] ? arg[0] : Py_None);
        if (result && raw_tell(b) == -1) PyErr_Clear();
    }
    leave(b);
    return result;
}

/* ---- writing ------------------------------------------------------------------------------------------------------------------------------ */

/* What does not fit: out with the pending bytes first, whole buffers go straight to the raw stream. */
static PyObject *write_large(Buffered *b, Py_buffer *data)
{
    Py_ssize_t available, written = 0, remaining;
    if (flush_writes(b) < 0) {
        if (!PyErr_ExceptionMatches(PyExc_BlockingIOError)) return NULL;
        PyErr_Clear();
        /* Non-blocking: make room at the start of the buffer and take what fits. */
        if (b->readable) reset_read(b);
        memmove(b->buffer, b->buffer + b->write_pos, (size_t)(b->write_end - b->write_pos));
        b->write_end -= b->write_pos;
        b->raw_position -= b->write_pos;
        b->position -= b->write_pos;
        b->write_pos = 0;
        available = b->buffer_size - (Py_ssize_t)b->write_end;
        if (data->len <= available) {
            memcpy(b->buffer + b->write_end, data->buf, (size_t)data->len);
            b->write_end += data->len;
            b->position += data->len;
            return PyLong_FromSsize_t(data->len);
        }
        memcpy(b->buffer + b->write_end, data->buf, (size_t)available);
        b->write_end += available;
        b->position += available;
        errno = EAGAIN;
        return would_block("write could not complete without blocking", available);
    }
    off_t offset = RAW_OFFSET(b);
    if (offset != 0) {
        if (raw_seek(b, -offset, 1) < 0) return NULL;
        b->raw_position -= offset;
    }
    remaining = data->len;
    while (remaining > b->buffer_size) {
        Py_ssize_t n = raw_write(b, (char *)data->buf + written, remaining);
        if (n == -1) return NULL;
        if (n == -2) {                                   /* would block: keep a buffer full of it */
            if (remaining > b->buffer_size) {
                memcpy(b->buffer, (char *)data->buf + written, (size_t)b->buffer_size);
                b->raw_position = 0;
                adjust_position(b, b->buffer_size);
                b->write_end = b->buffer_size;
                written += b->buffer_size;
                return would_block("write could not complete without blocking", written);
            }
            break;
        }
        written += n;
        remaining -= n;
        if (PyErr_CheckSignals() < 0) return NULL;
    }
    if (b->readable) reset_read(b);
    if (remaining > 0) memcpy(b->buffer, (char *)data->buf + written, (size_t)remaining);
    b->write_pos = 0;
    b->write_end = remaining;
    adjust_position(b, remaining);
    b->raw_position = 0;
    return PyLong_FromSsize_t(data->len);
}

static PyObject *write_buffered(Buffered *b, Py_buffer *data)
{
    if (!VALID_READ(b) && !VALID_WRITE(b)) {
        b->position = 0;
        b->raw_position = 0;
    }
    Py_ssize_t available = b->buffer_size - (Py_ssize_t)b->position;
    if (data->len > available || data->len >= b->buffer_size) return write_large(b, data);
    memcpy(b->buffer + b->position, data->buf, (size_t)data->len);
    if (!VALID_WRITE(b) || b->write_pos > b->position) b->write_pos = b->position;
    adjust_position(b, b->position + data->len);
    if (b->write_end < b->position) b->write_end = b->position;
    return PyLong_FromSsize_t(data->len);
}

BUILTIN_O(buffered, write, "($self, buffer, /)", "Write buffer, a bytes-like object, and return the number of its bytes.")
{
    Buffered *b = BUFFERED(self);
    Py_buffer data;
    CHECK_INITIALIZED(b, NULL);
    if (PyUnicode_Check(arg)) return PyErr_Format(PyExc_TypeError, "a bytes-like object is required, not 'str'");
    if (PyObject_GetBuffer(arg, &data, PyBUF_SIMPLE) < 0) return NULL;
    PyObject *result = NULL;
    if (enter_open(b, "write to closed file")) {
        int closed = raw_is_closed(b);
        if (closed > 0) PyErr_SetString(PyExc_ValueError, "write to closed file");
        if (closed == 0) result = write_buffered(b, &data);
        leave(b);
    }
    PyBuffer_Release(&data);
    return result;
}

/* ---- attributes ------------------------------------------------------------------------------------------------------------------------------ */

static PyObject *buffered_get_closed(PyObject *self, void *closure)
{
    CHECK_INITIALIZED(BUFFERED(self), NULL);
    return PyObject_GetAttrString(BUFFERED(self)->raw, "closed");
}

static PyObject *buffered_get_name(PyObject *self, void *closure)
{
    CHECK_INITIALIZED(BUFFERED(self), NULL);
    return PyObject_GetAttrString(BUFFERED(self)->raw, "name");
}

static PyObject *buffered_get_mode(PyObject *self, void *closure)
{
    CHECK_INITIALIZED(BUFFERED(self), NULL);
    return PyObject_GetAttrString(BUFFERED(self)->raw, "mode");
}

BUILTIN_NOARGS(buffered, __sizeof__, "($self, /)", "")
{
    size_t size = (size_t)Py_TYPE(self)->tp_basicsize;
    if (BUFFERED(self)->buffer) size += (size_t)BUFFERED(self)->buffer_size;
    return PyLong_FromSize_t(size);
}

static PyObject *buffered_getstate(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return PyErr_Format(PyExc_TypeError, "cannot pickle '%.100s' instances", _PyType_Name(Py_TYPE(self)));
}

static PyObject *buffered_repr(PyObject *self)
{
    PyObject *name, *repr = NULL;
    const char *type = Py_TYPE(self)->tp_name;
    if (PyObject_GetOptionalAttrString(self, "name", &name) < 0) {
        if (!PyErr_ExceptionMatches(PyExc_ValueError)) return NULL;
        PyErr_Clear();
        name = NULL;
    }
    if (!name) return PyUnicode_FromFormat("<%s>", type);
    int status = Py_ReprEnter(self);
    if (status == 0) {
        repr = PyUnicode_FromFormat("<%s name=%R>", type, name);
        Py_ReprLeave(self);
    }
    else if (status > 0) PyErr_Format(PyExc_RuntimeError, "reentrant call inside %s.__repr__", type);
    Py_DECREF(name);
    return repr;
}

#define COMMON_METHODS                                                                                                  \
    METHOD(buffered, detach), METHOD(buffered, close), METHOD(buffered, seekable), METHOD(buffered, fileno),            \
    METHOD(buffered, isatty), METHOD(buffered, _dealloc_warn), METHOD(buffered, tell), METHOD(buffered, __sizeof__),    \
    { "__getstate__", buffered_getstate, METH_NOARGS, NULL }

#define READ_METHODS                                                                                                    \
    METHOD(buffered, read), METHOD(buffered, peek), METHOD(buffered, read1), METHOD(buffered, readinto),                \
    METHOD(buffered, readinto1), METHOD(buffered, readline)

static PyMethodDef reader_methods[] = {
    COMMON_METHODS, READ_METHODS, METHOD(buffered, readable), METHOD(buffered, seek), METHOD(buffered, truncate),
    { "flush", buffered_simple_flush, METH_NOARGS, buffered_simple_flush_doc },
    { 0 }
};

static PyMethodDef writer_methods[] = {
    COMMON_METHODS, METHOD(buffered, writable), METHOD(buffered, flush), METHOD(buffered, write), METHOD(buffered, seek),
    METHOD(buffered, truncate),
    { 0 }
};

static PyMethodDef random_methods[] = {
    COMMON_METHODS, READ_METHODS, METHOD(buffered, readable), METHOD(buffered, writable), METHOD(buffered, flush), METHOD(buffered, write),
    METHOD(buffered, seek), METHOD(buffered, truncate),
    { 0 }
};

static PyGetSetDef buffered_getset[] = {
    { "closed", buffered_get_closed, NULL, NULL, NULL }, { "name", buffered_get_name, NULL, NULL, NULL },
    { "mode", buffered_get_mode, NULL, NULL, NULL }, { 0 }
};

static PyMemberDef buffered_members[] = {
    { "raw", Py_T_OBJECT_EX, offsetof(Buffered, raw), Py_READONLY, NULL },
    { "_finalizing", Py_T_BOOL, offsetof(Buffered, finalizing), 0, NULL },
    { "__weaklistoffset__", Py_T_PYSSIZET, offsetof(Buffered, weakrefs), Py_READONLY, NULL },
    { "__dictoffset__", Py_T_PYSSIZET, offsetof(Buffered, dict), Py_READONLY, NULL },
    { 0 }
};

#define BUFFERED_SLOTS(doc, init, methods)                                                                              \
    { Py_tp_doc, doc }, { Py_tp_init, init }, { Py_tp_dealloc, buffered_dealloc },         \
    { Py_tp_traverse, buffered_traverse }, { Py_tp_clear, buffered_clear }, { Py_tp_repr, buffered_repr },              \
    { Py_tp_methods, methods }, { Py_tp_getset, buffered_getset }, { Py_tp_members, buffered_members }

static PyType_Slot reader_slots[] = {
    BUFFERED_SLOTS("BufferedReader(raw, buffer_size=8192)\n--\n\nA buffer over a readable sequential raw stream.", reader_init, reader_methods),
    { Py_tp_iternext, buffered_next }, { 0, NULL }
};
static PyType_Slot writer_slots[] = {
    BUFFERED_SLOTS("BufferedWriter(raw, buffer_size=8192)\n--\n\nA buffer over a writeable sequential raw stream.", writer_init, writer_methods),
    { 0, NULL }
};
static PyType_Slot random_slots[] = {
    BUFFERED_SLOTS("BufferedRandom(raw, buffer_size=8192)\n--\n\nA buffer over a seekable raw stream.", random_init, random_methods),
    { Py_tp_iternext, buffered_next }, { 0, NULL }
};

#define BUFFERED_FLAGS (Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE)
PyType_Spec buffered_reader_spec = { "_io.BufferedReader", sizeof(Buffered), 0, BUFFERED_FLAGS, reader_slots };
PyType_Spec buffered_writer_spec = { "_io.BufferedWriter", sizeof(Buffered), 0, BUFFERED_FLAGS, writer_slots };
PyType_Spec buffered_random_spec = { "_io.BufferedRandom", sizeof(Buffered), 0, BUFFERED_FLAGS, random_slots };
