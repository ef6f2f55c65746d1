/* SSLSession: what a client keeps of a connection to resume it. Copies: the library changes a session that is in use. */
#include "ssl_private.h"

static int session_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(SESSION(self)->context);
    VISIT_TYPE(self);
    return 0;
}

static int session_clear(PyObject *self)
{
    Py_CLEAR(SESSION(self)->context);
    return 0;
}

static void session_dealloc(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    Py_CLEAR(SESSION(self)->context);
    SSL_SESSION_free(SESSION(self)->session);
    free_instance(self);
}

static PyObject *session_id(SSL_SESSION *session)
{
    unsigned n;
    const unsigned char *id = SSL_SESSION_get_id(session, &n);
    return PyBytes_FromStringAndSize((const char *)id, n);
}

static PyObject *session_richcompare(PyObject *a, PyObject *b, int op)
{
    if (Py_TYPE(a) != Py_TYPE(b) || (op != Py_EQ && op != Py_NE)) Py_RETURN_NOTIMPLEMENTED;
    unsigned n, m;
    const unsigned char *x = SSL_SESSION_get_id(SESSION(a)->session, &n), *y = SSL_SESSION_get_id(SESSION(b)->session, &m);
    bool equal = a == b || (n == m && memcmp(x, y, n) == 0);
    return PyBool_FromLong(equal == (op == Py_EQ));
}

static PyObject *session_get_id(PyObject *self, void *Py_UNUSED(closure)) { return session_id(SESSION(self)->session); }
static PyObject *session_get_time(PyObject *self, void *Py_UNUSED(closure)) { return PyLong_FromLong(SSL_SESSION_get_time(SESSION(self)->session)); }
static PyObject *session_get_timeout(PyObject *self, void *Py_UNUSED(closure)) { return PyLong_FromLong(SSL_SESSION_get_timeout(SESSION(self)->session)); }
static PyObject *session_get_hint(PyObject *self, void *Py_UNUSED(closure))
{
    return PyLong_FromUnsignedLong(SSL_SESSION_get_ticket_lifetime_hint(SESSION(self)->session));
}
static PyObject *session_get_has_ticket(PyObject *self, void *Py_UNUSED(closure)) { return PyBool_FromLong(SSL_SESSION_has_ticket(SESSION(self)->session)); }

static PyGetSetDef session_getset[] = {
    { "has_ticket", session_get_has_ticket, NULL, "Does the session contain a ticket?", NULL },
    { "id", session_get_id, NULL, "Session ID.", NULL },
    { "ticket_lifetime_hint", session_get_hint, NULL, "Ticket life time hint.", NULL },
    { "time", session_get_time, NULL, "Session creation time (seconds since epoch).", NULL },
    { "timeout", session_get_timeout, NULL, "Session timeout (delta in seconds).", NULL }, { 0 },
};
static PyType_Slot session_slots[] = {
    SLOT(tp_dealloc, session_dealloc), SLOT(tp_traverse, session_traverse), SLOT(tp_clear, session_clear),
    SLOT(tp_richcompare, session_richcompare), SLOT(tp_getset, session_getset), { 0, NULL },
};
PyType_Spec session_spec = {
    "_ssl.SSLSession", sizeof(Session), 0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_HAVE_GC, session_slots,
};

/* ---- the connection's attribute ------------------------------------------------------------------------------------------ */

PyObject *connection_get_session(PyObject *self, void *Py_UNUSED(closure))
{
    Connection *c = CONNECTION(self);
    SslState *state = c->context->state;
    bool taken = lock_take(&c->lock);
    SSL_SESSION *current = SSL_get0_session(c->ssl), *copy = current ? SSL_SESSION_dup(current) : NULL;
    lock_release(&c->lock, taken);
    if (!current) Py_RETURN_NONE;
    if (!copy) return raise_last(state, LINE_SSL_NEW);
    Session *session = PyObject_GC_New(Session, state->session);
    if (!session) {
        SSL_SESSION_free(copy);
        return NULL;
    }
    session->session = copy;
    session->context = CONTEXT(Py_NewRef(c->context));
    PyObject_GC_Track(session);
    return OBJECT(session);
}

int connection_set_session(PyObject *self, PyObject *value, void *Py_UNUSED(closure))
{
    Connection *c = CONNECTION(self);
    SslState *state = c->context->state;
    if (!value || !Py_IS_TYPE(value, state->session)) return PyErr_SetString(PyExc_TypeError, "Value is not a SSLSession."), -1;
    Context *from = SESSION(value)->context;
    if (!from || from->ctx != c->context->ctx) return PyErr_SetString(PyExc_ValueError, "Session refers to a different SSLContext."), -1;
    if (c->server) return PyErr_SetString(PyExc_ValueError, "Cannot set session for server-side SSLSocket."), -1;
    bool taken = lock_take(&c->lock);
    bool late = !SSL_in_before(c->ssl), done = false;
    if (!late) {
        SSL_SESSION *copy = SSL_SESSION_dup(SESSION(value)->session);
        done = copy && SSL_set_session(c->ssl, copy);
        SSL_SESSION_free(copy);
    }
    lock_release(&c->lock, taken);
    if (late) return PyErr_SetString(PyExc_ValueError, "Cannot set session after handshake."), -1;
    return done ? 0 : (raise_last(state, LINE_SSL_NEW), -1);
}
