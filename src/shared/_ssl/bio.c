/* What the library reads from and writes to: memory, which is Python's MemoryBIO, and sockets.
 *
 * Both are BIO methods of our own. Memory has a mutex, since the library is in it without the GIL while other threads may read
 * or write the MemoryBIO. Sockets never block: what would is reported as such, and connection.c waits. */
#include "ssl_private.h"

#include <limits.h>
#include <pthread.h>
#include <sys/socket.h>

/* ---- memory -------------------------------------------------------------------------------------------------------------- */

typedef struct Memory {
    pthread_mutex_t mutex;
    char *data;
    size_t start, end, capacity;              /* what is to be read: data[start, end) */
    bool ended;                               /* empty means the end, not "try again" */
} Memory;

enum { MEMORY_KEPT = 1 << 16 };               /* capacity that an empty buffer may keep */

/* Room for n bytes behind what there is. */
static bool memory_reserve(Memory *m, size_t n)
{
    if (m->capacity - m->end >= n) return true;
    size_t used = m->end - m->start;
    if (used) memmove(m->data, m->data + m->start, used);
    m->start = 0;
    m->end = used;
    if (m->capacity - used >= n) return true;
    if (n > PY_SSIZE_T_MAX / 4 || used > PY_SSIZE_T_MAX / 4) return false;
    size_t capacity = used + n + (used + n) / 2 + 512;
    char *data = PyMem_RawRealloc(m->data, capacity);
    if (!data) return false;
    m->data = data;
    m->capacity = capacity;
    return true;
}

static int memory_write(BIO *bio, const char *data, size_t n, size_t *written)
{
    Memory *m = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    pthread_mutex_lock(&m->mutex);
    bool done = memory_reserve(m, n);
    if (done && n) memcpy(m->data + m->end, data, n);
    if (done) m->end += n;
    pthread_mutex_unlock(&m->mutex);
    *written = done ? n : 0;
    if (!done) ERR_raise(ERR_LIB_BIO, ERR_R_MALLOC_FAILURE);
    return done;
}

static int memory_read(BIO *bio, char *data, size_t n, size_t *taken)
{
    Memory *m = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    pthread_mutex_lock(&m->mutex);
    size_t there = m->end - m->start;
    bool ended = m->ended;
    if (n > there) n = there;
    if (n) memcpy(data, m->data + m->start, n);
    m->start += n;
    if (m->start == m->end) {
        m->start = m->end = 0;
        if (m->capacity > MEMORY_KEPT) {
            PyMem_RawFree(m->data);
            m->data = NULL;
            m->capacity = 0;
        }
    }
    pthread_mutex_unlock(&m->mutex);
    *taken = n;
    if (there) return 1;
    if (ended) return 0;
    BIO_set_retry_read(bio);
    return -1;
}

static long memory_control(BIO *bio, int command, long Py_UNUSED(number), void *Py_UNUSED(p))
{
    Memory *m = BIO_get_data(bio);
    long result = 0;
    pthread_mutex_lock(&m->mutex);
    size_t there = m->end - m->start;
    switch (command) {
    case BIO_CTRL_EOF: result = there == 0; break;
    case BIO_CTRL_PENDING: result = there > LONG_MAX ? LONG_MAX : (long)there; break;
    case BIO_CTRL_FLUSH: case BIO_CTRL_DUP: result = 1; break;
    default: break;
    }
    pthread_mutex_unlock(&m->mutex);
    return result;
}

static int memory_destroy(BIO *bio)
{
    Memory *m = BIO_get_data(bio);
    BIO_set_data(bio, NULL);
    if (!m) return 1;
    pthread_mutex_destroy(&m->mutex);
    PyMem_RawFree(m->data);
    PyMem_RawFree(m);
    return 1;
}

/* ---- sockets ------------------------------------------------------------------------------------------------------------- */

/* What a system call came to, for the library and for connection.c. */
static int socket_result(BIO *bio, Connection *c, ssize_t n, size_t *done, bool reading)
{
    *done = n > 0 ? (size_t)n : 0;
    if (n > 0) return 1;
    if (n == 0) {
        c->end_of_file = reading;
        c->os_error = 0;
        return 0;
    }
    c->os_error = errno;
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR || errno == ENOTCONN || errno == EINPROGRESS || errno == EALREADY || errno == EPROTO) {
        if (reading) BIO_set_retry_read(bio);
        else BIO_set_retry_write(bio);
    }
    return -1;
}

static int socket_read(BIO *bio, char *data, size_t n, size_t *taken)
{
    Connection *c = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    return socket_result(bio, c, recv(c->fd, data, n, MSG_DONTWAIT), taken, true);
}

static int socket_write(BIO *bio, const char *data, size_t n, size_t *written)
{
    Connection *c = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    return socket_result(bio, c, send(c->fd, data, n, MSG_DONTWAIT | MSG_NOSIGNAL), written, false);
}

static long socket_control(BIO *bio, int command, long Py_UNUSED(number), void *Py_UNUSED(p))
{
    Connection *c = BIO_get_data(bio);
    switch (command) {
    case BIO_CTRL_EOF: return c->end_of_file;
    case BIO_CTRL_FLUSH: case BIO_CTRL_DUP: return 1;
    default: return 0;
    }
}

/* ---- the methods --------------------------------------------------------------------------------------------------------- */

/* Made once for the process, and never freed: BIOs point to them that may outlive any module. NULL when memory ran out. */
static BIO_METHOD *memory_method, *socket_method;
static pthread_once_t methods_once = PTHREAD_ONCE_INIT;

static void methods_make(void)
{
    BIO_METHOD *memory = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "Python memory"), *socket = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "Python socket");
    if (!memory || !socket) return;
    BIO_meth_set_read_ex(memory, memory_read);
    BIO_meth_set_write_ex(memory, memory_write);
    BIO_meth_set_ctrl(memory, memory_control);
    BIO_meth_set_destroy(memory, memory_destroy);
    BIO_meth_set_read_ex(socket, socket_read);
    BIO_meth_set_write_ex(socket, socket_write);
    BIO_meth_set_ctrl(socket, socket_control);
    memory_method = memory;
    socket_method = socket;
}

static BIO *bio_new(BIO_METHOD **method, void *data)
{
    pthread_once(&methods_once, methods_make);
    BIO *bio = *method ? BIO_new(*method) : NULL;
    if (!bio) return NULL;
    BIO_set_data(bio, data);
    BIO_set_init(bio, 1);
    return bio;
}

/* c outlives the BIO, which only its SSL structure holds. */
BIO *socket_bio_new(Connection *c) { return bio_new(&socket_method, c); }

/* ---- MemoryBIO ----------------------------------------------------------------------------------------------------------- */

static PyObject *memory_bio_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    if (refuse_keywords("MemoryBIO", kwargs) < 0) return NULL;
    if (PyTuple_GET_SIZE(args)) {
        PyErr_SetString(PyExc_TypeError, "MemoryBIO() takes no positional arguments");
        return NULL;
    }
    MemoryBio *self = MEMORY_BIO(type->tp_alloc(type, 0));
    if (!self) return NULL;
    self->state = PyType_GetModuleState(type);
    Memory *m = PyMem_RawCalloc(1, sizeof *m);
    if (m) pthread_mutex_init(&m->mutex, NULL);
    if (m && (self->bio = bio_new(&memory_method, m))) return OBJECT(self);
    if (m) pthread_mutex_destroy(&m->mutex);
    PyMem_RawFree(m);
    Py_DECREF(self);
    return PyErr_NoMemory();
}

static int memory_bio_traverse(PyObject *self, visitproc visit, void *arg)
{
    VISIT_TYPE(self);
    return 0;
}

static void memory_bio_dealloc(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    BIO_free(MEMORY_BIO(self)->bio);
    free_instance(self);
}

static size_t memory_pending(MemoryBio *b)
{
    Memory *m = BIO_get_data(b->bio);
    pthread_mutex_lock(&m->mutex);
    size_t n = m->end - m->start;
    pthread_mutex_unlock(&m->mutex);
    return n;
}

BUILTIN(MemoryBIO, read, POSITIONAL, "($self, size=-1, /)", "Take up to size bytes out of the buffer; all of them without a size.")
{
    MemoryBio *b = MEMORY_BIO(self);
    int size;
    if (int_argument(arg[0], -1, &size) < 0) return NULL;
    size_t there = memory_pending(b), taken = 0;
    if (there > INT_MAX) there = INT_MAX;
    if (size >= 0 && (size_t)size < there) there = (size_t)size;
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)there);
    if (!bytes || !there) return bytes;
    memory_read(b->bio, PyBytes_AS_STRING(bytes), there, &taken);
    if (taken != there) _PyBytes_Resize(&bytes, (Py_ssize_t)taken);
    return bytes;
}

BUILTIN_O(MemoryBIO, write, "($self, b, /)", "Append the bytes; returns their number.")
{
    MemoryBio *b = MEMORY_BIO(self);
    Py_buffer view;
    size_t written = 0;
    if (PyObject_GetBuffer(arg, &view, PyBUF_SIMPLE) < 0) return NULL;
    if (view.len > INT_MAX) PyErr_Format(PyExc_OverflowError, "string longer than %d bytes", INT_MAX);
    else if (b->ended) PyErr_SetString(b->state->error, "cannot write() after write_eof()");
    else if (!memory_write(b->bio, view.buf, (size_t)view.len, &written)) {
        ERR_clear_error();
        PyErr_NoMemory();
    }
    PyBuffer_Release(&view);
    return PyErr_Occurred() ? NULL : PyLong_FromSize_t(written);
}

BUILTIN_NOARGS(MemoryBIO, write_eof, "($self, /)", "Nothing more will be written: when all has been read, eof is true.")
{
    MemoryBio *b = MEMORY_BIO(self);
    Memory *m = BIO_get_data(b->bio);
    pthread_mutex_lock(&m->mutex);
    b->ended = m->ended = true;
    pthread_mutex_unlock(&m->mutex);
    Py_RETURN_NONE;
}

static PyObject *memory_bio_get_pending(PyObject *self, void *Py_UNUSED(closure)) { return PyLong_FromSize_t(memory_pending(MEMORY_BIO(self))); }
static PyObject *memory_bio_get_eof(PyObject *self, void *Py_UNUSED(closure))
{
    return PyBool_FromLong(MEMORY_BIO(self)->ended && memory_pending(MEMORY_BIO(self)) == 0);
}

static PyMethodDef memory_bio_methods[] = { METHOD(MemoryBIO, read), METHOD(MemoryBIO, write), METHOD(MemoryBIO, write_eof), { 0 } };
static PyGetSetDef memory_bio_getset[] = {
    { "pending", memory_bio_get_pending, NULL, "The number of bytes pending in the memory BIO.", NULL },
    { "eof", memory_bio_get_eof, NULL, "Whether the memory BIO is at EOF.", NULL }, { 0 },
};
static PyType_Slot memory_bio_slots[] = {
    SLOT(tp_new, memory_bio_new), SLOT(tp_dealloc, memory_bio_dealloc), SLOT(tp_traverse, memory_bio_traverse),
    SLOT(tp_methods, memory_bio_methods), SLOT(tp_getset, memory_bio_getset), { 0, NULL },
};
PyType_Spec memory_bio_spec = {
    "_ssl.MemoryBIO", sizeof(MemoryBio), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_HAVE_GC, memory_bio_slots,
};
