/* _SSLSocket: one connection. Making one, handshake, reading, writing, closing.
 *
 * Every call of the library goes through connection_step(): without the GIL, under the connection's lock, and never blocking.
 * When the library wants to read or write and the socket is blocking or has a timeout, connection_run() waits with poll(), with
 * neither GIL nor lock, and calls again. Signal handlers run between two calls. */
#include "ssl_private.h"

#include <limits.h>
#include <poll.h>
#include <time.h>

/* ---- making one ---------------------------------------------------------------------------------------------------------- */

/* The name for SNI, and what the certificate will be held against. */
static int configure_hostname(Connection *c, const char *name)
{
    SslState *state = c->context->state;
    size_t n = strlen(name);
    if (!n || *name == '.') {
        PyErr_SetString(PyExc_ValueError, "server_hostname cannot be an empty string or start with a leading dot.");
        return -1;
    }
    ASN1_OCTET_STRING *address = a2i_IPADDRESS(name);
    ERR_clear_error();
    int status = -1;
    if (!(c->hostname = PyUnicode_DecodeASCII(name, (Py_ssize_t)n, "strict"))) goto done;
    if (!address && !SSL_set_tlsext_host_name(c->ssl, name)) {
        raise_last(state, LINE_HOSTNAME);
        goto done;
    }
    if (c->context->check_hostname) {
        X509_VERIFY_PARAM *parameters = SSL_get0_param(c->ssl);
        int set = address ? X509_VERIFY_PARAM_set1_ip(parameters, ASN1_STRING_get0_data(address), (size_t)ASN1_STRING_length(address))
                          : X509_VERIFY_PARAM_set1_host(parameters, name, n);
        if (!set) {
            raise_last(state, LINE_HOSTNAME);
            goto done;
        }
    }
    status = 0;
done:
    ASN1_OCTET_STRING_free(address);
    return status;
}

/* A server asks for a certificate later only when it verifies at all. */
static void configure_post_handshake(Connection *c)
{
    if (!c->context->post_handshake_auth) return;
    if (!c->server) SSL_set_post_handshake_auth(c->ssl, 1);
    else if (SSL_get_verify_mode(c->ssl) & SSL_VERIFY_PEER)
        SSL_set_verify(c->ssl, SSL_get_verify_mode(c->ssl) | SSL_VERIFY_POST_HANDSHAKE, SSL_get_verify_callback(c->ssl));
}

static int connect_bios(Connection *c, PyObject *socket, MemoryBio *in, MemoryBio *out)
{
    if (!socket) {
        BIO_up_ref(in->bio);
        SSL_set0_rbio(c->ssl, in->bio);
        BIO_up_ref(out->bio);
        SSL_set0_wbio(c->ssl, out->bio);
        return 0;
    }
    if (!(c->socket = PyWeakref_NewRef(socket, NULL))) return -1;
    BIO *bio = socket_bio_new(c);
    if (!bio) return PyErr_NoMemory(), -1;
    SSL_set_bio(c->ssl, bio, bio);
    return 0;
}

PyObject *connection_new(Context *context, PyObject *socket, MemoryBio *in, MemoryBio *out, bool server, const char *hostname, PyObject *owner,
                         PyObject *session)
{
    SslState *state = context->state;
    if (server && context->protocol == PROTOCOL_TLS_CLIENT)
        return raise_text(state, "Cannot create a server socket with a PROTOCOL_TLS_CLIENT context", LINE_SERVER_SOCKET);
    if (!server && context->protocol == PROTOCOL_TLS_SERVER)
        return raise_text(state, "Cannot create a client socket with a PROTOCOL_TLS_SERVER context", LINE_CLIENT_SOCKET);
    ERR_clear_error();
    bool taken = lock_take(&context->lock);
    SSL *ssl = SSL_new(context->ctx);
    lock_release(&context->lock, taken);
    if (!ssl) return raise_last(state, LINE_SSL_NEW);
    Connection *c = CONNECTION(state->connection->tp_alloc(state->connection, 0));
    if (!c) {
        SSL_free(ssl);
        return NULL;
    }
    c->ssl = ssl;
    c->context = CONTEXT(Py_NewRef(context));
    c->first = CONTEXT(Py_NewRef(context));
    c->fd = -1;
    c->server = server;
    SSL_set_app_data(ssl, c);
    X509_VERIFY_PARAM_set_hostflags(SSL_get0_param(ssl), context->host_flags);
    SSL_set_mode(ssl, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_AUTO_RETRY);
    context_install_msg_callback(context, ssl);
    if (connect_bios(c, socket, in, out) < 0) goto failed;
    if (hostname && configure_hostname(c, hostname) < 0) goto failed;
    configure_post_handshake(c);
    if (server) SSL_set_accept_state(ssl);
    else SSL_set_connect_state(ssl);
    if (owner && owner != Py_None && connection_set_owner(OBJECT(c), owner, NULL) < 0) goto failed;
    if (session && session != Py_None && connection_set_session(OBJECT(c), session, NULL) < 0) goto failed;
    return OBJECT(c);
failed:
    Py_DECREF(c);
    return NULL;
}

static int connection_traverse(PyObject *self, visitproc visit, void *arg)
{
    Connection *c = CONNECTION(self);
    Py_VISIT(c->context);
    Py_VISIT(c->first);
    Py_VISIT(c->socket);
    Py_VISIT(c->owner);
    Py_VISIT(c->pending);
    VISIT_TYPE(self);
    return 0;
}

/* The contexts stay: the SSL structure calls back into them. They break cycles by letting go of their callbacks. */
static int connection_clear(PyObject *self)
{
    Py_CLEAR(CONNECTION(self)->pending);
    return 0;
}

static void connection_dealloc(PyObject *self)
{
    Connection *c = CONNECTION(self);
    PyObject_GC_UnTrack(self);
    SSL_set_msg_callback(c->ssl, NULL);
    SSL_free(c->ssl);
    Py_XDECREF(c->socket);
    Py_XDECREF(c->owner);
    Py_XDECREF(c->hostname);
    Py_XDECREF(c->pending);
    Py_XDECREF(c->context);
    Py_XDECREF(c->first);
    free_instance(self);
}

/* ---- calls of the library ------------------------------------------------------------------------------------------------ */

typedef struct Call {
    int (*run)(SSL *ssl, struct Call *call);
    void *data;
    size_t size, done;
} Call;

static int call_handshake(SSL *ssl, Call *Py_UNUSED(call)) { return SSL_do_handshake(ssl); }
static int call_read(SSL *ssl, Call *call) { return SSL_read_ex(ssl, call->data, call->size, &call->done); }
static int call_write(SSL *ssl, Call *call) { return SSL_write_ex(ssl, call->data, call->size, &call->done); }

/* Once our notice is sent nothing is read ahead: what follows the other side's is for whoever uses the socket next. */
static int call_shutdown(SSL *ssl, Call *call)
{
    if (call->size) SSL_set_read_ahead(ssl, 0);
    return SSL_shutdown(ssl);
}

/* One call. -1 with an exception when this thread is in the library already, below a callback. */
static int connection_step(Connection *c, int fd, Call *call, Outcome *outcome)
{
    bool taken = lock_take(&c->lock);
    if (!taken) return PyErr_SetString(PyExc_RuntimeError, "a callback cannot read, write or shut down its own connection"), -1;
    c->fd = fd;
    c->os_error = 0;
    c->thread = PyEval_SaveThread();
    if (UNLIKELY(ERR_peek_error())) ERR_clear_error();    /* which would go over all its entries each time */
    if (SSL_in_init(c->ssl)) handshake_enter(c);
    int result = call->run(c->ssl, call);
    handshake_leave(c);
    outcome->result = result;
    outcome->kind = result > 0 ? SSL_ERROR_NONE : SSL_get_error(c->ssl, result);
    outcome->code = result > 0 ? 0 : ERR_peek_last_error();
    outcome->os_error = c->os_error;
    PyThreadState *thread = c->thread;
    c->thread = NULL;
    lock_release(&c->lock, taken);            /* first: nobody should wait for this thread to get the GIL */
    PyEval_RestoreThread(thread);
    return 0;
}

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Until the socket can be read or written, or the deadline (-1: none). 0 at the deadline. After a signal, too, it is 1. */
static int wait_ready(int fd, short events, int64_t deadline)
{
    struct pollfd p = { fd, events, 0 };
    int milliseconds = -1, ready;
    if (deadline >= 0) {
        int64_t left = deadline - now_ns();
        if (left <= 0) return 0;
        left = (left + 999999) / 1000000;
        milliseconds = left > INT_MAX ? INT_MAX : (int)left;
    }
    Py_BEGIN_ALLOW_THREADS
    ready = poll(&p, 1, milliseconds);
    if (ready < 0) ready = 1;
    Py_END_ALLOW_THREADS
    return ready;
}

/* What a method tells of its errors. */
typedef struct Texts { int gone, line; const char *closed, *read_timeout, *write_timeout; } Texts;

/* The socket, new; NULL for memory BIOs. -1 with an exception when it is gone. */
static int connection_socket(Connection *c, PyObject **socket, int line)
{
    *socket = NULL;
    if (!c->socket) return 0;
    if (PyWeakref_GetRef(c->socket, socket) < 0) return -1;
    if (*socket) return 0;
    raise_text(c->context->state, "Underlying socket connection gone", line);
    return -1;
}

/* A deadline for the socket's timeout; -1 when there is none. */
static int64_t deadline_of(SocketCapi *capi, PyObject *socket)
{
    int64_t timeout = socket ? capi->timeout(socket) : 0;
    if (timeout <= 0) return -1;
    int64_t now = now_ns();
    return timeout > INT64_MAX - now ? INT64_MAX : now + timeout;
}

/* Waits as the outcome asks for. 1: call again, 0: the outcome stands, -1 with an exception. */
static int connection_wait(Connection *c, PyObject *socket, const Outcome *outcome, int64_t deadline, const Texts *texts)
{
    SocketCapi *capi = c->context->state->socket;
    bool reading = outcome->kind == SSL_ERROR_WANT_READ;
    if (!reading && outcome->kind != SSL_ERROR_WANT_WRITE) return 0;
    if (!socket || capi->timeout(socket) == 0) return 0;
    int fd = capi->descriptor(socket);
    if (fd < 0) {
        if (texts->closed) PyErr_SetString(c->context->state->error, texts->closed);
        return texts->closed ? -1 : 0;
    }
    if (wait_ready(fd, reading ? POLLIN : POLLOUT, deadline)) return 1;
    PyErr_SetString(PyExc_TimeoutError, reading ? texts->read_timeout : texts->write_timeout);
    return -1;
}

/* Calls until it is done, fails, or would have to wait on a socket that does not. 1 and the outcome says success, 0 and it says
 * why not, -1 with an exception. */
static int connection_run(Connection *c, PyObject *socket, Call *call, Outcome *outcome, const Texts *texts)
{
    SocketCapi *capi = c->context->state->socket;
    int64_t deadline = deadline_of(capi, socket);
    /* A write with a timeout waits first: bytes that a socket takes only in part could not be taken back. */
    if (call->run == call_write && deadline >= 0) {
        Outcome wish = { .kind = SSL_ERROR_WANT_WRITE };
        if (connection_wait(c, socket, &wish, deadline, texts) < 0) return -1;
    }
    for (;;) {
        if (connection_step(c, socket ? capi->descriptor(socket) : -1, call, outcome) < 0 || PyErr_CheckSignals() < 0) return -1;
        if (outcome->result > 0) return 1;
        int again = connection_wait(c, socket, outcome, deadline, texts);
        if (again <= 0) return again;
    }
}

/* ---- methods ------------------------------------------------------------------------------------------------------------- */

BUILTIN_NOARGS(connection, do_handshake, "($self, /)", "Perform the handshake.")
{
    static const Texts texts = { LINE_HANDSHAKE_GONE, LINE_HANDSHAKE, "_ssl.c:1016: Underlying socket has been closed.",
                                 "_ssl.c:1012: The handshake operation timed out", "_ssl.c:1012: The handshake operation timed out" };
    Connection *c = CONNECTION(self);
    PyObject *socket;
    Outcome outcome;
    Call call = { call_handshake, NULL, 0, 0 };
    if (connection_socket(c, &socket, texts.gone) < 0) return NULL;
    int done = connection_run(c, socket, &call, &outcome, &texts);
    Py_XDECREF(socket);
    if (done == 0) return raise_outcome(c, &outcome, texts.line);
    if (raise_pending(c) < 0 || done < 0) return NULL;
    Py_RETURN_NONE;
}

BUILTIN_O(connection, write, "($self, b, /)", "Write the bytes; returns how many were written.")
{
    static const Texts texts = { LINE_WRITE_GONE, LINE_WRITE, "Underlying socket has been closed.", "The write operation timed out", "The write operation timed out" };
    Connection *c = CONNECTION(self);
    PyObject *socket;
    Py_buffer view;
    Outcome outcome;
    if (connection_socket(c, &socket, texts.gone) < 0) return NULL;
    if (PyObject_GetBuffer(arg, &view, PyBUF_SIMPLE) < 0) {
        Py_XDECREF(socket);
        return NULL;
    }
    Call call = { call_write, view.buf, (size_t)view.len, 0 };
    /* The library wants a write that it could not finish called again with the same bytes, before any other. */
    bool taken = lock_take(&c->writing);
    int done = connection_run(c, socket, &call, &outcome, &texts);
    lock_release(&c->writing, taken);
    PyBuffer_Release(&view);
    Py_XDECREF(socket);
    if (done == 0) return raise_outcome(c, &outcome, texts.line);
    if (raise_pending(c) < 0 || done < 0) return NULL;
    return PyLong_FromSize_t(call.done);
}

/* Up to call->size bytes to call->data. 0, or -1 with an exception. */
static int connection_read_into(Connection *c, Call *call)
{
    static const Texts texts = { LINE_READ_GONE, LINE_READ, NULL, "The read operation timed out", "The read operation timed out" };
    PyObject *socket;
    Outcome outcome;
    if (connection_socket(c, &socket, texts.gone) < 0) return -1;
    int done = connection_run(c, socket, call, &outcome, &texts);
    Py_XDECREF(socket);
    if (done == 0) {
        call->done = 0;
        bool taken = lock_take(&c->lock);
        bool closed = outcome.kind == SSL_ERROR_ZERO_RETURN && SSL_get_shutdown(c->ssl) == SSL_RECEIVED_SHUTDOWN;
        lock_release(&c->lock, taken);
        if (!closed) return raise_outcome(c, &outcome, texts.line), -1;
    }
    return raise_pending(c) < 0 || done < 0 ? -1 : 0;
}

static PyObject *read_bytes(Connection *c, Py_ssize_t size)
{
    /* Never more than one record at a time. */
    if (size > SSL3_RT_MAX_PLAIN_LENGTH) size = SSL3_RT_MAX_PLAIN_LENGTH;
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, size);
    if (!bytes || !size) return bytes;
    Call call = { call_read, PyBytes_AS_STRING(bytes), (size_t)size, 0 };
    if (connection_read_into(c, &call) < 0) {
        Py_DECREF(bytes);
        return NULL;
    }
    if ((Py_ssize_t)call.done != size) _PyBytes_Resize(&bytes, (Py_ssize_t)call.done);
    return bytes;
}

static PyObject *read_buffer(Connection *c, Py_ssize_t size, PyObject *target)
{
    Py_buffer view;
    if (PyObject_GetBuffer(target, &view, PyBUF_WRITABLE) < 0) {
        PyErr_Format(PyExc_TypeError, "read() argument 2 must be read-write bytes-like object, not %.50s",
                     target == Py_None ? "None" : Py_TYPE(target)->tp_name);
        return NULL;
    }
    if (size <= 0 || size > view.len) size = view.len;
    Call call = { call_read, view.buf, (size_t)size, 0 };
    int status = size ? connection_read_into(c, &call) : 0;
    PyBuffer_Release(&view);
    return status < 0 ? NULL : PyLong_FromSize_t(call.done);
}

static PyObject *connection_read(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    Connection *c = CONNECTION(self);
    if (nargs < 1 || nargs > 2) return PyErr_SetString(PyExc_TypeError, "_ssl._SSLSocket.read requires 1 to 2 arguments"), NULL;
    Py_ssize_t size;
    if (size_argument(args[0], 0, &size) < 0) return NULL;
    if (nargs == 2) return read_buffer(c, size, args[1]);
    if (size < 0) return PyErr_SetString(PyExc_ValueError, "size should not be negative"), NULL;
    return read_bytes(c, size);
}

/* Sends "close notify", then waits for the other side's. */
BUILTIN_NOARGS(connection, shutdown, "($self, /)", "Close the TLS connection; returns the socket.")
{
    static const Texts texts = { LINE_SHUTDOWN_GONE, LINE_SHUTDOWN, NULL, "The read operation timed out", "The write operation timed out" };
    Connection *c = CONNECTION(self);
    SocketCapi *capi = c->context->state->socket;
    PyObject *socket;
    Outcome outcome;
    Call call = { call_shutdown, NULL, 0, 0 };
    if (connection_socket(c, &socket, texts.gone) < 0) return NULL;
    if (socket && capi->descriptor(socket) < 0) {
        Py_DECREF(socket);
        return raise_text(c->context->state, "Underlying socket connection gone", texts.gone);
    }
    int64_t deadline = deadline_of(capi, socket);
    int again = 0;
    for (int sent = 0;;) {
        call.size = c->shutdown_seen_zero;
        if ((again = connection_step(c, socket ? capi->descriptor(socket) : -1, &call, &outcome)) < 0) break;
        if (outcome.result > 0) break;
        if (outcome.result == 0) {
            if (++sent > 1) break;
            c->shutdown_seen_zero = true;
            continue;
        }
        if ((again = PyErr_CheckSignals()) < 0) break;
        if ((again = connection_wait(c, socket, &outcome, deadline, &texts)) <= 0) break;
    }
    if (again >= 0 && outcome.result < 0) raise_outcome(c, &outcome, texts.line);
    if (raise_pending(c) < 0 || PyErr_Occurred()) {
        Py_XDECREF(socket);
        return NULL;
    }
    return socket ? socket : Py_NewRef(Py_None);
}

BUILTIN_NOARGS(connection, verify_client_post_handshake, "($self, /)", "Ask the client for a certificate, after the handshake (TLS 1.3).")
{
    Connection *c = CONNECTION(self);
    bool taken = lock_take(&c->lock);
    ERR_clear_error();
    int done = SSL_verify_client_post_handshake(c->ssl);
    lock_release(&c->lock, taken);
    if (!done) return raise_last(c->context->state, LINE_VERIFY_POST_HANDSHAKE);
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(connection, pending, "($self, /)", "The number of decrypted bytes that can be read at once.")
{
    Connection *c = CONNECTION(self);
    bool taken = lock_take(&c->lock);
    int n = SSL_pending(c->ssl);
    lock_release(&c->lock, taken);
    return PyLong_FromLong(n);
}

/* ---- methods of connection_info.c ---------------------------------------------------------------------------------------- */

BUILTIN(connection, getpeercert, POSITIONAL, "($self, der=False, /)", "The other side's certificate: a dict, or bytes. None: it showed none.")
{
    int der = arg[0] ? PyObject_IsTrue(arg[0]) : 0;
    return der < 0 ? NULL : connection_peer_certificate(CONNECTION(self), der);
}

BUILTIN(connection, get_channel_binding, KEYWORDS, "($self, /, cb_type='tls-unique')", "Bytes that are this connection's own, on both sides.")
{
    const char *kind = arg[0] ? str_argument(arg[0], "get_channel_binding() argument 'cb_type'") : "tls-unique";
    return kind ? connection_binding(CONNECTION(self), kind) : NULL;
}

BUILTIN_NOARGS(connection, get_unverified_chain, "($self, /)", "The certificates that the other side sent.") { return connection_chain(CONNECTION(self), false); }
BUILTIN_NOARGS(connection, get_verified_chain, "($self, /)", "The certificates up to the authority.") { return connection_chain(CONNECTION(self), true); }
BUILTIN_NOARGS(connection, cipher, "($self, /)", "(name, version, bits) of the cipher in use.") { return connection_cipher_in_use(CONNECTION(self)); }
BUILTIN_NOARGS(connection, shared_ciphers, "($self, /)", "The ciphers that both sides have.") { return connection_common_ciphers(CONNECTION(self)); }
BUILTIN_NOARGS(connection, version, "($self, /)", "The version of the protocol.") { return connection_version_text(CONNECTION(self)); }
BUILTIN_NOARGS(connection, selected_alpn_protocol, "($self, /)", "The protocol agreed upon.") { return connection_alpn_text(CONNECTION(self)); }
BUILTIN_NOARGS(connection, compression, "($self, /)", "The compression in use.") { return connection_compression_text(CONNECTION(self)); }

/* ---- the type ------------------------------------------------------------------------------------------------------------ */

static PyMethodDef connection_methods[] = {
    { "read", (PyCFunction)(void (*)(void))connection_read, METH_FASTCALL, "read(size, [buffer])\nRead up to size bytes, as bytes or into the buffer." },
    METHOD(connection, do_handshake), METHOD(connection, write), METHOD(connection, pending),
    METHOD(connection, shutdown), METHOD(connection, verify_client_post_handshake), METHOD(connection, getpeercert),
    METHOD(connection, get_channel_binding), METHOD(connection, get_unverified_chain), METHOD(connection, get_verified_chain),
    METHOD(connection, cipher), METHOD(connection, shared_ciphers), METHOD(connection, version), METHOD(connection, selected_alpn_protocol),
    METHOD(connection, compression), { 0 },
};
static PyType_Slot connection_slots[] = {
    SLOT(tp_dealloc, connection_dealloc), SLOT(tp_traverse, connection_traverse), SLOT(tp_clear, connection_clear),
    SLOT(tp_methods, connection_methods), SLOT(tp_getset, connection_getset), { 0, NULL },
};
PyType_Spec connection_spec = {
    "_ssl._SSLSocket", sizeof(Connection), 0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_HAVE_GC, connection_slots,
};
