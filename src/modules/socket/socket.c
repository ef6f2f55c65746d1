/* _socket.socket: one socket. Timeouts are done with poll() before a call on a non-blocking descriptor; interrupted waits go on
 * with the time that is left (PEP 475). */
#include "socket_private.h"

#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <structmember.h>
#include <time.h>

static SocketState *socket_state_of(PyObject *socket)
{
    PyObject *module = PyType_GetModuleByDef(Py_TYPE(socket), &socket_definition);
    return module ? socket_state(module) : NULL;
}

static PyObject *os_error(void) { return PyErr_SetFromErrno(PyExc_OSError); }

static int64_t now_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

/* ---- waiting ------------------------------------------------------------------------------------------------------------------ */

/* 0: ready, 1: timed out, -1: errno. */
static int wait_ready(int fd, short events, int64_t left)
{
    struct pollfd p = { fd, events, 0 };
    int result;
    int ms = left < 0 ? -1 : left / 1000000 > INT_MAX - 1 ? INT_MAX : (int)((left + 999999) / 1000000);
    Py_BEGIN_ALLOW_THREADS
    result = poll(&p, 1, ms);
    Py_END_ALLOW_THREADS
    return result < 0 ? -1 : result == 0;
}

static void timed_out(void) { PyErr_SetString(PyExc_TimeoutError, "timed out"); }

typedef struct Call {
    ssize_t (*run)(Socket *s, struct Call *call);
    ssize_t result;
    void *buffer;
    size_t size;
    int flags;
    Address *address;
    socklen_t *length;
    struct msghdr *message;
} Call;

/* Runs the call, first waiting if the socket has a timeout (or connecting asks for it). deadline 0: from the socket's timeout.
 * 0, or -1 with an exception; *error, when given, gets errno instead. */
static int run_until(Socket *s, Call *call, short events, bool connecting, int64_t timeout, int *error)
{
    int64_t deadline = timeout > 0 ? now_ns() + timeout : 0;
    for (;;) {
        if (timeout > 0 || connecting) {
            int64_t left = timeout > 0 ? deadline - now_ns() : -1;
            int waited = timeout > 0 && left < 0 ? 1 : wait_ready(s->fd, events, left);
            if (waited < 0) {
                if (error) *error = errno;
                if (errno == EINTR) {
                    if (PyErr_CheckSignals() < 0) return -1;
                    continue;
                }
                if (!error) os_error();
                return -1;
            }
            if (waited) {
                if (error) *error = EWOULDBLOCK;
                else timed_out();
                return -1;
            }
        }
        Py_BEGIN_ALLOW_THREADS
        errno = 0;
        call->result = call->run(s, call);
        Py_END_ALLOW_THREADS                                  /* keeps errno */
        if (call->result >= 0) return 0;
        if (error) *error = errno;
        if (errno == EINTR) {
            if (PyErr_CheckSignals() < 0) return -1;
            continue;
        }
        if (timeout > 0 && (errno == EWOULDBLOCK || errno == EAGAIN)) continue;
        if (!error) os_error();
        return -1;
    }
}

static int run_call(Socket *s, Call *call, short events) { return run_until(s, call, events, false, s->timeout, NULL); }

/* ---- life ------------------------------------------------------------------------------------------------------------------------ */

static int set_blocking(int fd, bool blocking)
{
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0) return -1;
    int wanted = blocking ? flags & ~O_NONBLOCK : flags | O_NONBLOCK;
    return wanted == flags ? 0 : fcntl(fd, F_SETFL, wanted);
}

static int set_up(SocketState *state, Socket *s, int fd, int family, int type, int protocol)
{
    s->fd = fd;
    s->family = family;
    s->type = type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC);
    s->protocol = protocol;
    if (type & SOCK_NONBLOCK) s->timeout = 0;
    else {
        s->timeout = state->default_timeout;
        if (s->timeout >= 0 && set_blocking(fd, false) < 0) {
            os_error();
            return -1;
        }
    }
    return 0;
}

static PyObject *socket_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    Socket *s = (Socket *)type->tp_alloc(type, 0);
    if (s) {
        s->fd = -1;
        s->timeout = -1;
    }
    return (PyObject *)s;
}

PyObject *socket_make(PyTypeObject *type, int fd, int family, int kind, int protocol)
{
    Socket *s = (Socket *)socket_new(type, NULL, NULL);
    if (s && set_up(socket_state_of((PyObject *)s), s, fd, family, kind, protocol) < 0) Py_CLEAR(s);
    return (PyObject *)s;
}

/* What the kernel says of a descriptor that came from elsewhere. */
static int detect(int fd, int option, int *value)
{
    socklen_t n = sizeof *value;
    if (*value != -1) return 0;
    if (getsockopt(fd, SOL_SOCKET, option, value, &n) == 0) return 0;
    os_error();
    return -1;
}

SIGNATURE(socket_signature, "socket", KEYWORDS, "(family=-1, type=-1, proto=-1, fileno=None)");

static int socket_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    PyObject *arg[4];
    int values[3] = { -1, -1, -1 }, fd;
    if (args_bind_tuple(&socket_signature, args, kwargs, arg) < 0) return -1;
    for (int i = 0; i < 3; i++)
        if (arg[i] && (values[i] = PyLong_AsInt(arg[i])) == -1 && PyErr_Occurred()) return -1;
    int family = values[0], type = values[1], protocol = values[2];
    if (PySys_Audit("socket.__new__", "Oiii", self, family, type, protocol) < 0) return -1;
    if (arg[3] && arg[3] != Py_None) {
        if (PyFloat_Check(arg[3])) {
            PyErr_SetString(PyExc_TypeError, "integer argument expected, got float");
            return -1;
        }
        if ((fd = PyLong_AsInt(arg[3])) == -1 && PyErr_Occurred()) return -1;
        if (fd < 0) {
            PyErr_SetString(PyExc_ValueError, "negative file descriptor");
            return -1;
        }
        Address address = { 0 };
        socklen_t length = sizeof address;
        if (getsockname(fd, &address.any, &length) < 0) {
            if (family == -1 || errno == EBADF || errno == ENOTSOCK) {
                os_error();
                return -1;
            }
        }
        else if (family == -1) family = address.any.sa_family;
        if (detect(fd, SO_TYPE, &type) < 0 || detect(fd, SO_PROTOCOL, &protocol) < 0) return -1;
    }
    else {
        if (family == -1) family = AF_INET;
        if (type == -1) type = SOCK_STREAM;
        if (protocol == -1) protocol = 0;
        Py_BEGIN_ALLOW_THREADS
        fd = socket(family, type | SOCK_CLOEXEC, protocol);
        Py_END_ALLOW_THREADS
        if (fd < 0) {
            os_error();
            return -1;
        }
    }
    return set_up(socket_state_of(self), SOCKET(self), fd, family, type, protocol);
}

static void socket_finalize(PyObject *self)
{
    if (SOCKET(self)->fd < 0) return;
    PyObject *pending = PyErr_GetRaisedException();
    if (PyErr_ResourceWarning(self, 1, "unclosed %R", self) && PyErr_ExceptionMatches(PyExc_Warning)) PyErr_WriteUnraisable(self);
    close(SOCKET(self)->fd);
    SOCKET(self)->fd = -1;
    PyErr_SetRaisedException(pending);
}

static void socket_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    if (PyObject_CallFinalizerFromDealloc(self) < 0) return;
    PyObject_GC_UnTrack(self);
    type->tp_free(self);
    Py_DECREF(type);
}

static int socket_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    return 0;
}

static PyObject *socket_repr(PyObject *self)
{
    Socket *s = SOCKET(self);
    return PyUnicode_FromFormat("<socket object, fd=%ld, family=%d, type=%d, proto=%d>", (long)s->fd, s->family, s->type, s->protocol);
}

BUILTIN_NOARGS(socket, close, "()", "Close the socket. It cannot be used after this call.")
{
    int fd = SOCKET(self)->fd, result;
    if (fd < 0) Py_RETURN_NONE;
    SOCKET(self)->fd = -1;
    Py_BEGIN_ALLOW_THREADS
    result = close(fd);
    Py_END_ALLOW_THREADS
    if (result < 0 && errno != ECONNRESET) return os_error();
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(socket, detach, "()", "Close the socket object without closing the underlying file descriptor, which is returned.")
{
    int fd = SOCKET(self)->fd;
    SOCKET(self)->fd = -1;
    return PyLong_FromLong(fd);
}

BUILTIN_NOARGS(socket, fileno, "() -> integer", "Return the integer file descriptor of the socket.") { return PyLong_FromLong(SOCKET(self)->fd); }

/* ---- timeouts ----------------------------------------------------------------------------------------------------------------------- */

int timeout_argument(PyObject *value, int64_t *timeout)
{
    *timeout = -1;
    if (value == Py_None) return 0;
    double seconds = PyFloat_AsDouble(value);
    if (seconds == -1.0 && PyErr_Occurred()) return -1;
    if (isnan(seconds)) PyErr_SetString(PyExc_ValueError, "Invalid value NaN (not a number)");
    else if (seconds < 0) PyErr_SetString(PyExc_ValueError, "Timeout value out of range");
    else if (seconds * 1e9 >= 9.2e18) PyErr_SetString(PyExc_OverflowError, "timeout doesn't fit into C timeval");
    else {
        *timeout = (int64_t)ceil(seconds * 1e9);
        return 0;
    }
    return -1;
}

static PyObject *timeout_object(int64_t timeout) { return timeout < 0 ? Py_NewRef(Py_None) : PyFloat_FromDouble((double)timeout / 1e9); }

BUILTIN_O(socket, setblocking, "(flag)", "Set the socket to blocking (flag is true) or non-blocking (false).")
{
    int block = PyObject_IsTrue(arg);
    if (block < 0) return NULL;
    if (set_blocking(SOCKET(self)->fd, block) < 0) return os_error();
    SOCKET(self)->timeout = block ? -1 : 0;
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(socket, getblocking, "()", "Returns True if socket is in blocking mode, or False if it is in non-blocking mode.")
{
    return PyBool_FromLong(SOCKET(self)->timeout != 0);
}

BUILTIN_O(socket, settimeout, "(timeout)", "Set a timeout on socket operations, in seconds; None disables it.")
{
    int64_t timeout;
    if (timeout_argument(arg, &timeout) < 0) return NULL;
    if (set_blocking(SOCKET(self)->fd, timeout < 0) < 0) return os_error();
    SOCKET(self)->timeout = timeout;
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(socket, gettimeout, "() -> timeout", "Returns the timeout in seconds (float) associated with socket operations, or None.")
{
    return timeout_object(SOCKET(self)->timeout);
}

/* ---- connections ---------------------------------------------------------------------------------------------------------------------- */

static ssize_t run_accept(Socket *s, Call *c) { return accept4(s->fd, &c->address->any, c->length, SOCK_CLOEXEC); }

BUILTIN_NOARGS(socket, _accept, "() -> (integer, address info)", "Wait for an incoming connection. Return a new descriptor and the client's address.")
{
    Address address = { 0 };
    socklen_t length = sizeof address;
    Call call = { .run = run_accept, .address = &address, .length = &length };
    if (run_call(SOCKET(self), &call, POLLIN) < 0) return NULL;
    PyObject *name = address_object(SOCKET(self)->family, &address, length);
    if (!name) {
        close((int)call.result);
        return NULL;
    }
    return Py_BuildValue("(iN)", (int)call.result, name);
}

BUILTIN_O(socket, bind, "(address)", "Bind the socket to a local address.")
{
    Address address;
    socklen_t length;
    int result;
    Socket *s = SOCKET(self);
    if (address_get(socket_state_of(self), s->family, s->protocol, arg, &address, &length, "bind") < 0) return NULL;
    if (PySys_Audit("socket.bind", "OO", self, arg) < 0) return NULL;
    Py_BEGIN_ALLOW_THREADS
    result = bind(s->fd, &address.any, length);
    Py_END_ALLOW_THREADS
    if (result < 0) return os_error();
    Py_RETURN_NONE;
}

BUILTIN(socket, listen, POSITIONAL, "(backlog=128, /)", "Enable a server to accept connections, backlog of them waiting.")
{
    int backlog = 128, result;
    if (arg[0] && (backlog = PyLong_AsInt(arg[0])) == -1 && PyErr_Occurred()) return NULL;
    Py_BEGIN_ALLOW_THREADS
    result = listen(SOCKET(self)->fd, backlog < 0 ? 0 : backlog);
    Py_END_ALLOW_THREADS
    if (result < 0) return os_error();
    Py_RETURN_NONE;
}

static ssize_t run_connected(Socket *s, Call *c)
{
    int error = 0;
    socklen_t n = sizeof error;
    if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &n) < 0) return -1;
    if (error == 0 || error == EISCONN) return 0;
    errno = error;
    return -1;
}

/* 0, errno, or -1 with an exception (only from signal handlers, or when raise is set). */
static int do_connect(Socket *s, const Address *address, socklen_t length, bool raise)
{
    int result, error = 0;
    Py_BEGIN_ALLOW_THREADS
    result = connect(s->fd, &address->any, length);
    error = errno;
    Py_END_ALLOW_THREADS
    if (result == 0) return 0;
    bool wait = false;
    if (error == EINTR) {
        if (PyErr_CheckSignals() < 0) return -1;
        wait = s->timeout != 0;
    }
    else wait = s->timeout > 0 && error == EINPROGRESS;
    if (!wait) {
        if (!raise) return error;
        errno = error;
        os_error();
        return -1;
    }
    Call call = { .run = run_connected };
    error = 0;
    if (run_until(s, &call, POLLOUT, true, s->timeout, raise ? NULL : &error) == 0) return 0;
    return PyErr_Occurred() ? -1 : error;
}

static PyObject *connect_with(PyObject *self, PyObject *target, bool raise)
{
    Address address;
    socklen_t length;
    Socket *s = SOCKET(self);
    if (address_get(socket_state_of(self), s->family, s->protocol, target, &address, &length, raise ? "connect" : "connect_ex") < 0) return NULL;
    if (PySys_Audit("socket.connect", "OO", self, target) < 0) return NULL;
    int error = do_connect(s, &address, length, raise);
    if (error < 0) return NULL;
    return raise ? Py_NewRef(Py_None) : PyLong_FromLong(error);
}

BUILTIN_O(socket, connect, "(address)", "Connect the socket to a remote address.") { return connect_with(self, arg, true); }
BUILTIN_O(socket, connect_ex, "(address) -> errno", "Like connect(address), but returns an error code instead of raising OSError.") { return connect_with(self, arg, false); }

BUILTIN_O(socket, shutdown, "(flag)", "Shut down the reading side of the socket, the writing side, or both.")
{
    int how = PyLong_AsInt(arg), result;
    if (how == -1 && PyErr_Occurred()) return NULL;
    Py_BEGIN_ALLOW_THREADS
    result = shutdown(SOCKET(self)->fd, how);
    Py_END_ALLOW_THREADS
    if (result < 0) return os_error();
    Py_RETURN_NONE;
}

static PyObject *name_of(PyObject *self, int (*call)(int, struct sockaddr *, socklen_t *))
{
    Address address = { 0 };
    socklen_t length = sizeof address;
    int result;
    Py_BEGIN_ALLOW_THREADS
    result = call(SOCKET(self)->fd, &address.any, &length);
    Py_END_ALLOW_THREADS
    return result < 0 ? os_error() : address_object(SOCKET(self)->family, &address, length);
}

static int call_getsockname(int fd, struct sockaddr *a, socklen_t *n) { return getsockname(fd, a, n); }
static int call_getpeername(int fd, struct sockaddr *a, socklen_t *n) { return getpeername(fd, a, n); }

BUILTIN_NOARGS(socket, getsockname, "() -> address info", "Return the address of the local endpoint.") { return name_of(self, call_getsockname); }
BUILTIN_NOARGS(socket, getpeername, "() -> address info", "Return the address of the remote endpoint.") { return name_of(self, call_getpeername); }

/* ---- options -------------------------------------------------------------------------------------------------------------------------- */

/* Those of AF_VSOCK are numbers of 64 bits, and nothing else. */
static PyObject *vsock_setsockopt(Socket *s, PyObject *args)
{
    int level, option;
    unsigned long long number;
    if (!PyArg_ParseTuple(args, "iiK:setsockopt", &level, &option, &number)) return NULL;
    if (setsockopt(s->fd, level, option, &number, sizeof number) < 0) return os_error();
    Py_RETURN_NONE;
}

static PyObject *vsock_getsockopt(Socket *s, int level, int option, int size)
{
    unsigned long long number = 0;
    socklen_t n = sizeof number;
    if (size) return PyErr_Format(PyExc_OSError, "getsockopt string buffer not allowed");
    if (getsockopt(s->fd, level, option, &number, &n) < 0) return os_error();
    return PyLong_FromUnsignedLongLong(number);
}

static PyObject *socket_setsockopt(PyObject *self, PyObject *args)
{
    int level, option, number, result;
    if (SOCKET(self)->family == AF_VSOCK) return vsock_setsockopt(SOCKET(self), args);
    unsigned length;
    PyObject *value;
    if (PyTuple_GET_SIZE(args) == 4) {
        if (!PyArg_ParseTuple(args, "iiOI:setsockopt", &level, &option, &value, &length)) return NULL;
        if (value != Py_None) return PyErr_Format(PyExc_TypeError, "setsockopt() argument 3 must be None, not %T", value);
        result = setsockopt(SOCKET(self)->fd, level, option, NULL, length);
    }
    else {
        Py_buffer view;
        if (!PyArg_ParseTuple(args, "iiO:setsockopt", &level, &option, &value)) return NULL;
        if (PyIndex_Check(value)) {
            if ((number = PyLong_AsInt(value)) == -1 && PyErr_Occurred()) return NULL;
            result = setsockopt(SOCKET(self)->fd, level, option, &number, sizeof number);
        }
        else {
            if (PyObject_GetBuffer(value, &view, PyBUF_SIMPLE) < 0) return NULL;
            result = setsockopt(SOCKET(self)->fd, level, option, view.buf, (socklen_t)view.len);
            int saved = errno;
            PyBuffer_Release(&view);
            errno = saved;
        }
    }
    if (result < 0) return os_error();
    Py_RETURN_NONE;
}

static PyObject *socket_getsockopt(PyObject *self, PyObject *args)
{
    int level, option, number = 0, size = 0;
    if (!PyArg_ParseTuple(args, "ii|i:getsockopt", &level, &option, &size)) return NULL;
    if (SOCKET(self)->family == AF_VSOCK) return vsock_getsockopt(SOCKET(self), level, option, size);
    if (size == 0) {
        socklen_t n = sizeof number;
        if (getsockopt(SOCKET(self)->fd, level, option, &number, &n) < 0) return os_error();
        return PyLong_FromLong(number);
    }
    if (size < 0 || size > 1024) return PyErr_Format(PyExc_OSError, "getsockopt buflen out of range");
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, size);
    if (!bytes) return NULL;
    socklen_t n = (socklen_t)size;
    if (getsockopt(SOCKET(self)->fd, level, option, PyBytes_AS_STRING(bytes), &n) < 0) {
        Py_DECREF(bytes);
        return os_error();
    }
    _PyBytes_Resize(&bytes, (Py_ssize_t)n);
    return bytes;
}

/* ---- receiving ------------------------------------------------------------------------------------------------------------------------ */

static ssize_t run_recv(Socket *s, Call *c) { return recv(s->fd, c->buffer, c->size, c->flags); }
static ssize_t run_recvfrom(Socket *s, Call *c)
{
    *c->length = sizeof *c->address;
    return recvfrom(s->fd, c->buffer, c->size, c->flags, &c->address->any, c->length);
}

static PyObject *socket_recv(PyObject *self, PyObject *args)
{
    Py_ssize_t size;
    int flags = 0;
    if (!PyArg_ParseTuple(args, "n|i:recv", &size, &flags)) return NULL;
    if (size < 0) return PyErr_Format(PyExc_ValueError, "negative buffersize in recv");
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, size);
    if (!bytes) return NULL;
    Call call = { .run = run_recv, .buffer = PyBytes_AS_STRING(bytes), .size = (size_t)size, .flags = flags };
    if (size > 0 && run_call(SOCKET(self), &call, POLLIN) < 0) Py_CLEAR(bytes);
    else if (call.result != size) _PyBytes_Resize(&bytes, call.result);
    return bytes;
}

static PyObject *socket_recvfrom(PyObject *self, PyObject *args)
{
    Py_ssize_t size;
    int flags = 0;
    Address address = { 0 };
    socklen_t length = 0;
    if (!PyArg_ParseTuple(args, "n|i:recvfrom", &size, &flags)) return NULL;
    if (size < 0) return PyErr_Format(PyExc_ValueError, "negative buffersize in recvfrom");
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, size);
    if (!bytes) return NULL;
    Call call = { .run = run_recvfrom, .buffer = PyBytes_AS_STRING(bytes), .size = (size_t)size, .flags = flags, .address = &address, .length = &length };
    if (run_call(SOCKET(self), &call, POLLIN) < 0) {
        Py_DECREF(bytes);
        return NULL;
    }
    if (call.result != size && _PyBytes_Resize(&bytes, call.result) < 0) return NULL;
    PyObject *name = address_object(SOCKET(self)->family, &address, length);
    if (!name) {
        Py_DECREF(bytes);
        return NULL;
    }
    return Py_BuildValue("(NN)", bytes, name);
}

SIGNATURE(recv_into_signature, "recv_into", KEYWORDS, "(buffer, nbytes=0, flags=0)");
SIGNATURE(recvfrom_into_signature, "recvfrom_into", KEYWORDS, "(buffer, nbytes=0, flags=0)");

static PyObject *receive_into(PyObject *self, PyObject *args, PyObject *kwargs, bool with_address)
{
    PyObject *arg[3], *result = NULL;
    Py_buffer view;
    Py_ssize_t size = 0;
    int flags = 0;
    Address address = { 0 };
    socklen_t length = 0;
    const char *name = with_address ? "recvfrom_into" : "recv_into";
    if (args_bind_tuple(with_address ? &recvfrom_into_signature : &recv_into_signature, args, kwargs, arg) < 0) return NULL;
    if (arg[1] && (size = PyNumber_AsSsize_t(arg[1], PyExc_OverflowError)) == -1 && PyErr_Occurred()) return NULL;
    if (arg[2] && (flags = PyLong_AsInt(arg[2])) == -1 && PyErr_Occurred()) return NULL;
    if (!PyArg_Parse(arg[0], "w*", &view)) return NULL;
    if (size < 0) PyErr_Format(PyExc_ValueError, "negative buffersize in %s", name);
    else if (size > view.len) PyErr_Format(PyExc_ValueError, with_address ? "nbytes is greater than the length of the buffer" : "buffer too small for requested bytes");
    else {
        if (size == 0) size = view.len;
        Call call = { .run = with_address ? run_recvfrom : run_recv, .buffer = view.buf, .size = (size_t)size, .flags = flags,
                      .address = &address, .length = &length };
        if ((size > 0 || with_address) ? run_call(SOCKET(self), &call, POLLIN) == 0 : true) {
            if (!with_address) result = PyLong_FromSsize_t(call.result);
            else {
                PyObject *from = address_object(SOCKET(self)->family, &address, length);
                if (from) result = Py_BuildValue("(nN)", (Py_ssize_t)call.result, from);
            }
        }
    }
    PyBuffer_Release(&view);
    return result;
}

static PyObject *socket_recv_into(PyObject *self, PyObject *args, PyObject *kwargs) { return receive_into(self, args, kwargs, false); }
static PyObject *socket_recvfrom_into(PyObject *self, PyObject *args, PyObject *kwargs) { return receive_into(self, args, kwargs, true); }

/* ---- sending -------------------------------------------------------------------------------------------------------------------------- */

static ssize_t run_send(Socket *s, Call *c) { return send(s->fd, c->buffer, c->size, c->flags); }
static ssize_t run_sendto(Socket *s, Call *c) { return sendto(s->fd, c->buffer, c->size, c->flags, &c->address->any, *c->length); }

static PyObject *socket_send(PyObject *self, PyObject *args)
{
    Py_buffer view;
    int flags = 0;
    if (!PyArg_ParseTuple(args, "y*|i:send", &view, &flags)) return NULL;
    Call call = { .run = run_send, .buffer = view.buf, .size = (size_t)view.len, .flags = flags };
    int status = run_call(SOCKET(self), &call, POLLOUT);
    PyBuffer_Release(&view);
    return status < 0 ? NULL : PyLong_FromSsize_t(call.result);
}

static PyObject *socket_sendall(PyObject *self, PyObject *args)
{
    Py_buffer view;
    int flags = 0, status = 0;
    Socket *s = SOCKET(self);
    if (!PyArg_ParseTuple(args, "y*|i:sendall", &view, &flags)) return NULL;
    char *at = view.buf;
    Py_ssize_t left = view.len;
    int64_t deadline = s->timeout > 0 ? now_ns() + s->timeout : 0, timeout = s->timeout;
    while (left > 0 || view.len == 0) {
        if (deadline && (timeout = deadline - now_ns()) <= 0) {
            timed_out();
            status = -1;
            break;
        }
        Call call = { .run = run_send, .buffer = at, .size = (size_t)left, .flags = flags };
        if ((status = run_until(s, &call, POLLOUT, false, timeout, NULL)) < 0) break;
        at += call.result;
        left -= call.result;
        if (view.len == 0) break;
        if (PyErr_CheckSignals() < 0) {
            status = -1;
            break;
        }
    }
    PyBuffer_Release(&view);
    if (status < 0) return NULL;
    Py_RETURN_NONE;
}

static PyObject *socket_sendto(PyObject *self, PyObject *args)
{
    Py_buffer view;
    PyObject *target;
    int flags = 0;
    Address address;
    socklen_t length;
    Socket *s = SOCKET(self);
    Py_ssize_t n = PyTuple_GET_SIZE(args);
    if (n == 2) {
        if (!PyArg_ParseTuple(args, "y*O:sendto", &view, &target)) return NULL;
    }
    else if (n == 3) {
        if (!PyArg_ParseTuple(args, "y*iO:sendto", &view, &flags, &target)) return NULL;
    }
    else return PyErr_Format(PyExc_TypeError, "sendto() takes 2 or 3 arguments (%zd given)", n);
    PyObject *result = NULL;
    if (address_get(socket_state_of(self), s->family, s->protocol, target, &address, &length, "sendto") == 0
        && PySys_Audit("socket.sendto", "OO", self, target) >= 0) {
        Call call = { .run = run_sendto, .buffer = view.buf, .size = (size_t)view.len, .flags = flags, .address = &address, .length = &length };
        if (run_call(s, &call, POLLOUT) == 0) result = PyLong_FromSsize_t(call.result);
    }
    PyBuffer_Release(&view);
    return result;
}

/* ---- messages with ancillary data -------------------------------------------------------------------------------------------------------- */

static ssize_t run_sendmsg(Socket *s, Call *c) { return sendmsg(s->fd, c->message, c->flags); }
static ssize_t run_recvmsg(Socket *s, Call *c) { return recvmsg(s->fd, c->message, c->flags); }

typedef struct Buffers { Py_buffer *views; struct iovec *iov; Py_ssize_t count; } Buffers;

static void buffers_done(Buffers *b)
{
    for (Py_ssize_t i = 0; i < b->count; i++) PyBuffer_Release(&b->views[i]);
    PyMem_Free(b->views);
    PyMem_Free(b->iov);
}

/* A tuple of the items: a __buffer__ or __index__ method of one cannot change it. */
static PyObject *fixed_items(PyObject *iterable, const char *message)
{
    PyObject *fast = PySequence_Fast(iterable, message), *tuple = fast ? PySequence_Tuple(fast) : NULL;
    Py_XDECREF(fast);
    return tuple;
}

static int buffers_get(Buffers *b, PyObject *iterable, bool writable, const char *message)
{
    *b = (Buffers){ 0 };
    PyObject *items = fixed_items(iterable, message);
    if (!items) return -1;
    Py_ssize_t n = PyTuple_GET_SIZE(items);
    b->views = PyMem_New(Py_buffer, (size_t)n + 1);
    b->iov = PyMem_New(struct iovec, (size_t)n + 1);
    if (!b->views || !b->iov) PyErr_NoMemory();
    for (Py_ssize_t i = 0; !PyErr_Occurred() && i < n; i++) {
        PyObject *item = PyTuple_GET_ITEM(items, i);
        if (writable ? !PyArg_Parse(item, "w*", &b->views[i]) : PyObject_GetBuffer(item, &b->views[i], PyBUF_SIMPLE) < 0) break;
        b->iov[i] = (struct iovec){ b->views[i].buf, (size_t)b->views[i].len };
        b->count++;
    }
    Py_DECREF(items);
    if (!PyErr_Occurred()) return 0;
    buffers_done(b);
    return -1;
}

typedef struct Ancillary { int level, type; Py_buffer data; } Ancillary;

static char *control_build(PyObject *ancillary, size_t *length)
{
    PyObject *items = fixed_items(ancillary, "sendmsg() argument 2 must be an iterable");
    if (!items) return NULL;
    char *control = NULL;
    Py_ssize_t n = PyTuple_GET_SIZE(items), taken = 0;
    size_t at = 0;
    Ancillary *parts = PyMem_New(Ancillary, (size_t)n + 1);
    if (!parts) PyErr_NoMemory();
    for (; parts && taken < n; taken++) {
        PyObject *item = PyTuple_GET_ITEM(items, taken);
        Ancillary *p = &parts[taken];
        if (!PyTuple_Check(item)) PyErr_SetString(PyExc_TypeError, "[sendmsg() ancillary data items]() argument must be sequence of length 3");
        if (PyErr_Occurred() || !PyArg_ParseTuple(item, "iiy*:[sendmsg() ancillary data items]", &p->level, &p->type, &p->data)) goto done;
        at += CMSG_SPACE((size_t)p->data.len);
    }
    if (parts && !(control = PyMem_Calloc(at + 1, 1))) PyErr_NoMemory();
    if (!control) goto done;
    *length = at;
    at = 0;
    for (Py_ssize_t i = 0; i < n; i++) {
        struct cmsghdr *h = (struct cmsghdr *)(control + at);
        size_t size = (size_t)parts[i].data.len;
        h->cmsg_level = parts[i].level;
        h->cmsg_type = parts[i].type;
        h->cmsg_len = CMSG_LEN(size);
        memcpy(CMSG_DATA(h), parts[i].data.buf, size);
        at += CMSG_SPACE(size);
    }
done:
    while (taken) PyBuffer_Release(&parts[--taken].data);
    PyMem_Free(parts);
    Py_DECREF(items);
    return control;
}

static PyObject *socket_sendmsg(PyObject *self, PyObject *args)
{
    PyObject *data, *ancillary = NULL, *target = NULL, *result = NULL;
    int flags = 0;
    Address address;
    socklen_t length = 0;
    Buffers buffers;
    char *control = NULL;
    size_t control_length = 0;
    Socket *s = SOCKET(self);
    if (!PyArg_ParseTuple(args, "O|OiO:sendmsg", &data, &ancillary, &flags, &target)) return NULL;
    struct msghdr message = { 0 };
    if (target && target != Py_None) {
        if (address_get(socket_state_of(self), s->family, s->protocol, target, &address, &length, "sendmsg") < 0) return NULL;
        message.msg_name = &address;
        message.msg_namelen = length;
    }
    if (PySys_Audit("socket.sendmsg", "OO", self, target ? target : Py_None) < 0) return NULL;
    if (buffers_get(&buffers, data, false, "sendmsg() argument 1 must be an iterable") < 0) return NULL;
    if (ancillary && !(control = control_build(ancillary, &control_length))) goto done;
    message.msg_iov = buffers.iov;
    message.msg_iovlen = (size_t)buffers.count;
    if (control_length) {
        message.msg_control = control;
        message.msg_controllen = control_length;
    }
    Call call = { .run = run_sendmsg, .flags = flags, .message = &message };
    if (run_call(s, &call, POLLOUT) == 0) result = PyLong_FromSsize_t(call.result);
done:
    PyMem_Free(control);
    buffers_done(&buffers);
    return result;
}

static PyObject *ancillary_list(struct msghdr *message)
{
    PyObject *list = PyList_New(0);
    for (struct cmsghdr *h = CMSG_FIRSTHDR(message); list && h; h = CMSG_NXTHDR(message, h)) {
        size_t n = h->cmsg_len - (size_t)((char *)CMSG_DATA(h) - (char *)h);
        size_t room = (size_t)((char *)message->msg_control + message->msg_controllen - (char *)CMSG_DATA(h));
        PyObject *item = Py_BuildValue("(iiy#)", h->cmsg_level, h->cmsg_type, CMSG_DATA(h), (Py_ssize_t)(n < room ? n : room));
        if (!item || PyList_Append(list, item) < 0) Py_CLEAR(list);
        Py_XDECREF(item);
    }
    return list;
}

static PyObject *receive_message(PyObject *self, struct iovec *iov, size_t count, Py_ssize_t control_size, int flags, PyObject *bytes)
{
    Address address = { 0 };
    PyObject *data = NULL, *ancillary = NULL, *from = NULL;
    if (control_size < 0 || control_size > INT_MAX) return PyErr_Format(PyExc_ValueError, "invalid ancillary data buffer length");
    char *control = control_size ? PyMem_Malloc((size_t)control_size) : NULL;
    if (control_size && !control) return PyErr_NoMemory();
    struct msghdr message = { .msg_name = &address, .msg_namelen = sizeof address, .msg_iov = iov, .msg_iovlen = count, .msg_control = control,
                              .msg_controllen = (size_t)control_size };
    Call call = { .run = run_recvmsg, .flags = flags, .message = &message };
    if (run_call(SOCKET(self), &call, POLLIN) == 0 && (ancillary = ancillary_list(&message))
        && (from = address_object(SOCKET(self)->family, &address, message.msg_namelen))) {
        if (!bytes) data = PyLong_FromSsize_t(call.result);
        else {
            data = Py_NewRef(bytes);
            if (call.result != PyBytes_GET_SIZE(data)) Py_SETREF(data, PyBytes_FromStringAndSize(PyBytes_AS_STRING(bytes), call.result));
        }
    }
    PyMem_Free(control);
    if (data) return Py_BuildValue("(NNiN)", data, ancillary, message.msg_flags, from);
    Py_XDECREF(ancillary);
    Py_XDECREF(from);
    return NULL;
}

static PyObject *socket_recvmsg(PyObject *self, PyObject *args)
{
    Py_ssize_t size, control = 0;
    int flags = 0;
    if (!PyArg_ParseTuple(args, "n|ni:recvmsg", &size, &control, &flags)) return NULL;
    if (size < 0) return PyErr_Format(PyExc_ValueError, "negative buffer size in recvmsg()");
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, size);
    if (!bytes) return NULL;
    struct iovec iov = { PyBytes_AS_STRING(bytes), (size_t)size };
    PyObject *result = receive_message(self, &iov, 1, control, flags, bytes);
    Py_DECREF(bytes);
    return result;
}

static PyObject *socket_recvmsg_into(PyObject *self, PyObject *args)
{
    PyObject *targets;
    Py_ssize_t control = 0;
    int flags = 0;
    Buffers buffers;
    if (!PyArg_ParseTuple(args, "O|ni:recvmsg_into", &targets, &control, &flags)) return NULL;
    if (buffers_get(&buffers, targets, true, "recvmsg_into() argument 1 must be an iterable") < 0) return NULL;
    PyObject *result = receive_message(self, buffers.iov, (size_t)buffers.count, control, flags, NULL);
    buffers_done(&buffers);
    return result;
}

/* ---- the type ------------------------------------------------------------------------------------------------------------------------- */

#define VARARGS(name, doc) { #name, socket_##name, METH_VARARGS, doc }
#define VARARGS_KW(name, doc) { #name, (PyCFunction)(void (*)(void))socket_##name, METH_VARARGS | METH_KEYWORDS, doc }

static PyMethodDef socket_methods[] = {
    METHOD(socket, _accept), METHOD(socket, bind), METHOD(socket, close), METHOD(socket, connect), METHOD(socket, connect_ex),
    METHOD(socket, detach), METHOD(socket, fileno), METHOD(socket, getpeername), METHOD(socket, getsockname), METHOD(socket, listen),
    METHOD(socket, setblocking), METHOD(socket, getblocking), METHOD(socket, settimeout), METHOD(socket, gettimeout), METHOD(socket, shutdown),
    VARARGS(getsockopt, "getsockopt(level, option[, buffersize]) -> value\n\nGet a socket option: an integer, or bytes when buffersize is given."),
    VARARGS(setsockopt, "setsockopt(level, option, value: int)\nsetsockopt(level, option, value: buffer)\nsetsockopt(level, option, None, optlen: int)\n\nSet a socket option."),
    VARARGS(recv, "recv(buffersize[, flags]) -> data\n\nReceive up to buffersize bytes from the socket."),
    VARARGS_KW(recv_into, "recv_into(buffer, [nbytes[, flags]]) -> nbytes_read\n\nA version of recv() that stores its data into a buffer."),
    VARARGS(recvfrom, "recvfrom(buffersize[, flags]) -> (data, address info)\n\nLike recv(buffersize, flags) but also return the sender's address info."),
    VARARGS_KW(recvfrom_into, "recvfrom_into(buffer[, nbytes[, flags]]) -> (nbytes, address info)\n\nLike recv_into() but also return the sender's address info."),
    VARARGS(recvmsg, "recvmsg(bufsize[, ancbufsize[, flags]]) -> (data, ancdata, msg_flags, address)\n\nReceive normal data and ancillary data."),
    VARARGS(recvmsg_into, "recvmsg_into(buffers[, ancbufsize[, flags]]) -> (nbytes, ancdata, msg_flags, address)\n\nReceive into buffers."),
    VARARGS(send, "send(data[, flags]) -> count\n\nSend a data string to the socket; return the number of bytes sent."),
    VARARGS(sendall, "sendall(data[, flags])\n\nSend a data string to the socket, all of it."),
    VARARGS(sendto, "sendto(data[, flags], address) -> count\n\nLike send(data, flags) but allows specifying the destination address."),
    VARARGS(sendmsg, "sendmsg(buffers[, ancdata[, flags[, address]]]) -> count\n\nSend normal and ancillary data to the socket."),
    { 0 }
};

static PyObject *socket_get_timeout(PyObject *self, void *closure) { return timeout_object(SOCKET(self)->timeout); }
static PyGetSetDef socket_getset[] = { { "timeout", socket_get_timeout, NULL, "the socket timeout", NULL }, { 0 } };
static PyMemberDef socket_members[] = {
    { "family", Py_T_INT, offsetof(Socket, family), Py_READONLY, "the socket family" },
    { "type", Py_T_INT, offsetof(Socket, type), Py_READONLY, "the socket type" },
    { "proto", Py_T_INT, offsetof(Socket, protocol), Py_READONLY, "the socket protocol" },
    { 0 }
};

static PyType_Slot socket_slots[] = {
    { Py_tp_doc, "socket(family=AF_INET, type=SOCK_STREAM, proto=0) -> socket object\nsocket(family=-1, type=-1, proto=-1, fileno=None) -> socket object\n\nOpen a socket." },
    { Py_tp_new, socket_new }, { Py_tp_init, socket_init }, { Py_tp_dealloc, socket_dealloc }, { Py_tp_traverse, socket_traverse },
    { Py_tp_repr, socket_repr }, { Py_tp_finalize, socket_finalize }, { Py_tp_methods, socket_methods }, { Py_tp_members, socket_members },
    { Py_tp_getset, socket_getset }, { 0, NULL }
};

PyType_Spec socket_spec = {
    "_socket.socket", sizeof(Socket), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE, socket_slots
};
