/* What a connection can tell of itself, and its attributes. Each look into the SSL structure is under the connection's lock,
 * since another thread may be in a handshake; a callback of the same connection may look, too. */
#include "ssl_private.h"

PyObject *connection_peer_certificate(Connection *c, bool der)
{
    SslState *state = c->context->state;
    bool taken = lock_take(&c->lock);
    bool finished = SSL_is_init_finished(c->ssl);
    X509 *peer = finished ? SSL_get1_peer_certificate(c->ssl) : NULL;
    bool verified = SSL_CTX_get_verify_mode(SSL_get_SSL_CTX(c->ssl)) & SSL_VERIFY_PEER;
    lock_release(&c->lock, taken);
    if (!finished) return PyErr_SetString(PyExc_ValueError, "handshake not done yet"), NULL;
    if (!peer) Py_RETURN_NONE;
    PyObject *result = der ? certificate_der(state, peer) : verified ? certificate_decode(state, peer) : PyDict_New();
    X509_free(peer);
    return result;
}

/* A server's chain lacks the client's own certificate, which comes first. */
PyObject *connection_chain(Connection *c, bool verified)
{
    SslState *state = c->context->state;
    bool taken = lock_take(&c->lock);
    STACK_OF(X509) *chain = verified ? SSL_get0_verified_chain(c->ssl) : SSL_get_peer_cert_chain(c->ssl);
    X509 *peer = chain && !verified && c->server ? SSL_get1_peer_certificate(c->ssl) : NULL;
    chain = chain ? X509_chain_up_ref(chain) : NULL;
    lock_release(&c->lock, taken);
    if (!chain) {
        X509_free(peer);
        Py_RETURN_NONE;
    }
    PyObject *list = certificate_list(state, chain);
    sk_X509_pop_free(chain, X509_free);
    if (list && peer) {
        PyObject *first = certificate_new(state, peer);
        if (!first || PyList_Insert(list, 0, first) < 0) Py_CLEAR(list);
        Py_XDECREF(first);
    }
    X509_free(peer);
    return list;
}

/* ---- ciphers ------------------------------------------------------------------------------------------------------------- */

static PyObject *cipher_tuple(const SSL_CIPHER *cipher)
{
    return Py_BuildValue("zzi", SSL_CIPHER_get_name(cipher), SSL_CIPHER_get_version(cipher), SSL_CIPHER_get_bits(cipher, NULL));
}

PyObject *connection_cipher_in_use(Connection *c)
{
    bool taken = lock_take(&c->lock);
    const SSL_CIPHER *cipher = SSL_get_current_cipher(c->ssl);
    lock_release(&c->lock, taken);
    if (!cipher) Py_RETURN_NONE;
    return cipher_tuple(cipher);
}

/* In the server's order. */
PyObject *connection_common_ciphers(Connection *c)
{
    PyObject *list = PyList_New(0);
    if (!list) return NULL;
    bool taken = lock_take(&c->lock);
    STACK_OF(SSL_CIPHER) *mine = SSL_get_ciphers(c->ssl), *theirs = SSL_get_client_ciphers(c->ssl);
    STACK_OF(SSL_CIPHER) *copy = mine && theirs ? sk_SSL_CIPHER_new_null() : NULL;
    for (int i = 0; copy && i < sk_SSL_CIPHER_num(mine); i++) {
        const SSL_CIPHER *cipher = sk_SSL_CIPHER_value(mine, i);
        for (int j = 0; j < sk_SSL_CIPHER_num(theirs); j++) {
            if (sk_SSL_CIPHER_value(theirs, j) != cipher) continue;
            sk_SSL_CIPHER_push(copy, cipher);
            break;
        }
    }
    bool none = !mine || !theirs;
    lock_release(&c->lock, taken);
    if (none) {
        Py_DECREF(list);
        Py_RETURN_NONE;
    }
    for (int i = 0; list && i < sk_SSL_CIPHER_num(copy); i++) {
        PyObject *tuple = cipher_tuple(sk_SSL_CIPHER_value(copy, i));
        if (!tuple || PyList_Append(list, tuple) < 0) Py_CLEAR(list);
        Py_XDECREF(tuple);
    }
    sk_SSL_CIPHER_free(copy);
    return list;
}

/* ---- texts --------------------------------------------------------------------------------------------------------------- */

PyObject *connection_version_text(Connection *c)
{
    bool taken = lock_take(&c->lock);
    const char *version = SSL_is_init_finished(c->ssl) ? SSL_get_version(c->ssl) : "unknown";
    lock_release(&c->lock, taken);
    if (strcmp(version, "unknown") == 0) Py_RETURN_NONE;
    return PyUnicode_FromString(version);
}

PyObject *connection_alpn_text(Connection *c)
{
    unsigned char name[256];                  /* a byte counts them */
    const unsigned char *selected;
    unsigned n = 0;
    bool taken = lock_take(&c->lock);
    SSL_get0_alpn_selected(c->ssl, &selected, &n);
    if (n > sizeof name) n = 0;
    if (n) memcpy(name, selected, n);
    lock_release(&c->lock, taken);
    if (!n) Py_RETURN_NONE;
    return PyUnicode_FromStringAndSize((const char *)name, (Py_ssize_t)n);
}

PyObject *connection_compression_text(Connection *c)
{
    bool taken = lock_take(&c->lock);
    const COMP_METHOD *method = SSL_get_current_compression(c->ssl);
    int nid = method ? COMP_get_type(method) : NID_undef;
    lock_release(&c->lock, taken);
    const char *name = nid == NID_undef ? NULL : OBJ_nid2sn(nid);
    if (!name) Py_RETURN_NONE;
    return PyUnicode_DecodeFSDefault(name);
}

/* The first message "finished" of the handshake: the client's, but the server's when a session was resumed. */
PyObject *connection_binding(Connection *c, const char *kind)
{
    char message[128];
    if (strcmp(kind, "tls-unique") != 0) return PyErr_Format(PyExc_ValueError, "'%s' channel binding type not implemented", kind);
    bool taken = lock_take(&c->lock);
    bool mine = !SSL_session_reused(c->ssl) == !c->server;
    size_t n = mine ? SSL_get_finished(c->ssl, message, sizeof message) : SSL_get_peer_finished(c->ssl, message, sizeof message);
    lock_release(&c->lock, taken);
    if (!n) Py_RETURN_NONE;
    return PyBytes_FromStringAndSize(message, n < sizeof message ? (Py_ssize_t)n : (Py_ssize_t)sizeof message);
}

/* ---- attributes ---------------------------------------------------------------------------------------------------------- */

static PyObject *connection_get_context(PyObject *self, void *Py_UNUSED(closure)) { return Py_NewRef(CONNECTION(self)->context); }

static int connection_set_context(PyObject *self, PyObject *value, void *Py_UNUSED(closure))
{
    Connection *c = CONNECTION(self);
    if (!value || !PyObject_TypeCheck(value, c->context->state->context)) {
        PyErr_SetString(PyExc_TypeError, "The value must be a SSLContext");
        return -1;
    }
    Context *old, *context = CONTEXT(Py_NewRef(value));
    bool taken = lock_take(&c->lock);
    /* Between its steps a handshake points into the certificates of the context: only the callback for names may change it. */
    if (!c->choosing && SSL_in_init(c->ssl) && !SSL_in_before(c->ssl)) {
        lock_release(&c->lock, taken);
        Py_DECREF(context);
        PyErr_SetString(PyExc_RuntimeError, "cannot change the context during a handshake");
        return -1;
    }
    bool taken_too = lock_take(&context->lock);
    SSL_CTX *now = SSL_set_SSL_CTX(c->ssl, context->ctx);
    lock_release(&context->lock, taken_too);
    old = c->context;
    if (now) {
        c->context = context;
        context_install_msg_callback(context, c->ssl);
    }
    lock_release(&c->lock, taken);
    if (!now) {
        Py_DECREF(context);
        return raise_last(c->context->state, LINE_SSL_NEW), -1;
    }
    Py_DECREF(old);
    return 0;
}

static PyObject *referenced(PyObject *reference)
{
    PyObject *object = NULL;
    if (reference && PyWeakref_GetRef(reference, &object) < 0) return NULL;
    return object ? object : Py_NewRef(Py_None);
}

static PyObject *connection_get_owner(PyObject *self, void *Py_UNUSED(closure)) { return referenced(CONNECTION(self)->owner); }

int connection_set_owner(PyObject *self, PyObject *value, void *Py_UNUSED(closure))
{
    if (refuse_delete(value) < 0) return -1;
    PyObject *reference = PyWeakref_NewRef(value, NULL);
    if (!reference) return -1;
    SET_FIELD(CONNECTION(self)->owner, reference);
    return 0;
}

PyObject *connection_shown(Connection *c)
{
    PyObject *shown = NULL;
    if (!c->owner && !c->socket) return Py_NewRef(c);
    if (PyWeakref_GetRef(c->owner ? c->owner : c->socket, &shown) < 0) PyErr_Clear();
    return shown;
}

static PyObject *connection_get_server_side(PyObject *self, void *Py_UNUSED(closure)) { return PyBool_FromLong(CONNECTION(self)->server); }
static PyObject *connection_get_hostname(PyObject *self, void *Py_UNUSED(closure))
{
    return Py_NewRef(CONNECTION(self)->hostname ? CONNECTION(self)->hostname : Py_None);
}

static PyObject *connection_get_session_reused(PyObject *self, void *Py_UNUSED(closure))
{
    Connection *c = CONNECTION(self);
    bool taken = lock_take(&c->lock);
    int reused = SSL_session_reused(c->ssl);
    lock_release(&c->lock, taken);
    return PyBool_FromLong(reused);
}

PyGetSetDef connection_getset[] = {
    { "context", connection_get_context, connection_set_context, "The context in use; a callback for names may set another.", NULL },
    { "server_side", connection_get_server_side, NULL, "Whether this is a server-side socket.", NULL },
    { "server_hostname", connection_get_hostname, NULL, "The currently set server hostname (for SNI).", NULL },
    { "owner", connection_get_owner, connection_set_owner, "What callbacks are given as the connection.", NULL },
    { "session", connection_get_session, connection_set_session, "The underlying SSLSession object.", NULL },
    { "session_reused", connection_get_session_reused, NULL, "Was the client session reused during handshake?", NULL },
    { 0 },
};
