/* _SSLContext: settings that many connections share. Making one, its attributes, what it can tell of itself, and connections
 * made from it. Loading files is in context_load.c, callbacks are in context_callbacks.c. */
#include "ssl_private.h"

#include <limits.h>

/* ---- making one ---------------------------------------------------------------------------------------------------------- */

static int warn_deprecated(const char *what) { return PyErr_WarnFormat(PyExc_DeprecationWarning, 2, "%s deprecated", what); }

static const struct { int protocol; const SSL_METHOD *(*method)(void); const char *deprecated; } protocols[] = {
    { PROTOCOL_TLS, TLS_method, "ssl.PROTOCOL_TLS is" }, { PROTOCOL_TLS_CLIENT, TLS_client_method, NULL }, { PROTOCOL_TLS_SERVER, TLS_server_method, NULL },
    { PROTOCOL_TLSv1, TLSv1_method, "ssl.PROTOCOL_TLSv1 is" }, { PROTOCOL_TLSv1_1, TLSv1_1_method, "ssl.PROTOCOL_TLSv1_1 is" },
    { PROTOCOL_TLSv1_2, TLSv1_2_method, "ssl.PROTOCOL_TLSv1_2 is" },
};

int context_set_verify_mode(Context *c, int mode)
{
    int flags;
    switch (mode) {
    case CERT_NONE: flags = SSL_VERIFY_NONE; break;
    case CERT_OPTIONAL: flags = SSL_VERIFY_PEER; break;
    case CERT_REQUIRED: flags = SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT; break;
    default: return PyErr_SetString(PyExc_ValueError, "invalid value for verify_mode"), -1;
    }
    SSL_CTX_set_verify(c->ctx, flags, SSL_CTX_get_verify_callback(c->ctx));
    return 0;
}

static void context_defaults(Context *c)
{
    SSL_CTX_set_options(c->ctx, (SSL_OP_ALL & ~SSL_OP_DONT_INSERT_EMPTY_FRAGMENTS) | SSL_OP_NO_SSLv3 | SSL_OP_NO_COMPRESSION |
                                SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_mode(c->ctx, SSL_MODE_RELEASE_BUFFERS);
    /* A client that has one could not resume the session that the library makes of a shared key. */
    if (c->protocol != PROTOCOL_TLS_CLIENT) SSL_CTX_set_session_id_context(c->ctx, (const unsigned char *)"Python", sizeof "Python");
    c->host_flags = X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS;
    X509_VERIFY_PARAM *parameters = SSL_CTX_get0_param(c->ctx);
    X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_TRUSTED_FIRST);
    X509_VERIFY_PARAM_set_hostflags(parameters, c->host_flags);
    SSL_CTX_set_post_handshake_auth(c->ctx, 0);
}

static PyObject *context_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    SslState *state = state_of(type);
    if (!state) return NULL;
    if ((type == state->context || type->tp_init == state->context->tp_init) && refuse_keywords("_SSLContext", kwargs) < 0) return NULL;
    if (check_count("_SSLContext", PyTuple_GET_SIZE(args), 1, 1) < 0) return NULL;
    int protocol = PyLong_AsInt(PyTuple_GET_ITEM(args, 0));
    if (protocol == -1 && PyErr_Occurred()) return NULL;
    size_t i = 0;
    while (i < ARRAY_LENGTH(protocols) && protocols[i].protocol != protocol) i++;
    if (i == ARRAY_LENGTH(protocols)) return PyErr_Format(PyExc_ValueError, "invalid or unsupported protocol version %i", protocol);
    if (protocols[i].deprecated && warn_deprecated(protocols[i].deprecated) < 0) return NULL;
    ERR_clear_error();
    SSL_CTX *ctx = SSL_CTX_new(protocols[i].method());
    if (!ctx) return raise_last(state, LINE_CONTEXT);
    Context *c = CONTEXT(type->tp_alloc(type, 0));
    if (!c) {
        SSL_CTX_free(ctx);
        return NULL;
    }
    c->ctx = ctx;
    c->state = state;
    c->module = Py_NewRef(PyType_GetModule(state->context));
    c->protocol = protocol;
    context_defaults(c);
    SSL_CTX_set_tlsext_servername_arg(ctx, c);   /* for good: it is read together with the callback, but without a lock */
    c->check_hostname = protocol == PROTOCOL_TLS_CLIENT;
    context_set_verify_mode(c, c->check_hostname ? CERT_REQUIRED : CERT_NONE);
    return OBJECT(c);
}

static int context_traverse(PyObject *self, visitproc visit, void *arg)
{
    Context *c = CONTEXT(self);
    Py_VISIT(c->module);
    Py_VISIT(c->sni_callback);
    Py_VISIT(c->msg_callback);
    Py_VISIT(c->psk_client);
    Py_VISIT(c->psk_server);
    VISIT_TYPE(self);
    return 0;
}

/* The module stays: until the last connection is freed its types are needed. */
static int context_clear(PyObject *self)
{
    Context *c = CONTEXT(self);
    Py_CLEAR(c->sni_callback);
    Py_CLEAR(c->msg_callback);
    Py_CLEAR(c->psk_client);
    Py_CLEAR(c->psk_server);
    return 0;
}

static void context_dealloc(PyObject *self)
{
    Context *c = CONTEXT(self);
    PyObject_GC_UnTrack(self);
    context_clear(self);
    SSL_CTX_free(c->ctx);
    context_free_callbacks(c);
    PyMem_Free(c->alpn);
    Py_XDECREF(c->module);
    free_instance(self);
}

/* ---- attributes ---------------------------------------------------------------------------------------------------------- */

static PyObject *context_get_verify_mode(PyObject *self, void *Py_UNUSED(closure))
{
    switch (SSL_CTX_get_verify_mode(CONTEXT(self)->ctx) & (SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT)) {
    case SSL_VERIFY_NONE: return PyLong_FromLong(CERT_NONE);
    case SSL_VERIFY_PEER: return PyLong_FromLong(CERT_OPTIONAL);
    case SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT: return PyLong_FromLong(CERT_REQUIRED);
    default: return raise_text(CONTEXT(self)->state, "invalid return value from SSL_CTX_get_verify_mode", LINE_CONTEXT);
    }
}

static int context_set_verify_mode_attribute(PyObject *self, PyObject *value, void *Py_UNUSED(closure))
{
    int mode;
    if (refuse_delete(value) < 0 || !PyArg_Parse(value, "i", &mode)) return -1;
    if (mode == CERT_NONE && CONTEXT(self)->check_hostname) {
        PyErr_SetString(PyExc_ValueError, "Cannot set verify_mode to CERT_NONE when check_hostname is enabled.");
        return -1;
    }
    return context_set_verify_mode(CONTEXT(self), mode);
}

static PyObject *context_get_check_hostname(PyObject *self, void *Py_UNUSED(closure)) { return PyBool_FromLong(CONTEXT(self)->check_hostname); }

static int context_set_check_hostname(PyObject *self, PyObject *value, void *Py_UNUSED(closure))
{
    Context *c = CONTEXT(self);
    if (refuse_delete(value) < 0) return -1;
    int check = PyObject_IsTrue(value);
    if (check < 0) return -1;
    if (check && SSL_CTX_get_verify_mode(c->ctx) == SSL_VERIFY_NONE) context_set_verify_mode(c, CERT_REQUIRED);
    c->check_hostname = check;
    return 0;
}

static PyObject *context_get_host_flags(PyObject *self, void *Py_UNUSED(closure)) { return PyLong_FromUnsignedLong(CONTEXT(self)->host_flags); }

static int context_set_host_flags(PyObject *self, PyObject *value, void *Py_UNUSED(closure))
{
    unsigned flags;
    if (refuse_delete(value) < 0 || !PyArg_Parse(value, "I", &flags)) return -1;
    CONTEXT(self)->host_flags = flags;
    X509_VERIFY_PARAM_set_hostflags(SSL_CTX_get0_param(CONTEXT(self)->ctx), flags);
    return 0;
}

static PyObject *context_get_verify_flags(PyObject *self, void *Py_UNUSED(closure))
{
    return PyLong_FromUnsignedLong(X509_VERIFY_PARAM_get_flags(SSL_CTX_get0_param(CONTEXT(self)->ctx)));
}

static int context_set_verify_flags(PyObject *self, PyObject *value, void *Py_UNUSED(closure))
{
    unsigned long wanted;
    if (refuse_delete(value) < 0 || !PyArg_Parse(value, "k", &wanted)) return -1;
    X509_VERIFY_PARAM *parameters = SSL_CTX_get0_param(CONTEXT(self)->ctx);
    unsigned long flags = X509_VERIFY_PARAM_get_flags(parameters);
    if ((flags & ~wanted && !X509_VERIFY_PARAM_clear_flags(parameters, flags & ~wanted)) ||
        (wanted & ~flags && !X509_VERIFY_PARAM_set_flags(parameters, wanted & ~flags))) {
        raise_last(CONTEXT(self)->state, LINE_CONTEXT);
        return -1;
    }
    return 0;
}

static PyObject *context_get_options(PyObject *self, void *Py_UNUSED(closure))
{
    return PyLong_FromUnsignedLongLong((unsigned long long)SSL_CTX_get_options(CONTEXT(self)->ctx));
}

static int context_set_options(PyObject *self, PyObject *value, void *Py_UNUSED(closure))
{
    const unsigned long long versions = SSL_OP_NO_SSLv2 | SSL_OP_NO_SSLv3 | SSL_OP_NO_TLSv1 | SSL_OP_NO_TLSv1_1 | SSL_OP_NO_TLSv1_2 | SSL_OP_NO_TLSv1_3;
    Context *c = CONTEXT(self);
    if (refuse_delete(value) < 0) return -1;
    if (!PyLong_Check(value)) {
        PyErr_Format(PyExc_TypeError, "argument must be int, not %.50s", value == Py_None ? "None" : Py_TYPE(value)->tp_name);
        return -1;
    }
    unsigned long long wanted = PyLong_AsUnsignedLongLong(value);
    if (wanted == (unsigned long long)-1 && PyErr_Occurred()) return -1;
    unsigned long long options = SSL_CTX_get_options(c->ctx), set = wanted & ~options, clear = options & ~wanted;
    if (set & versions && warn_deprecated("ssl.OP_NO_SSL*/ssl.OP_NO_TLS* options are") < 0) return -1;
    if (clear) SSL_CTX_clear_options(c->ctx, clear);
    if (set) SSL_CTX_set_options(c->ctx, set);
    return 0;
}

static PyObject *context_get_version(PyObject *self, void *maximum)
{
    long version = maximum ? SSL_CTX_get_max_proto_version(CONTEXT(self)->ctx) : SSL_CTX_get_min_proto_version(CONTEXT(self)->ctx);
    return PyLong_FromLong(version ? version : maximum ? -1 : -2);
}

static int context_set_version(PyObject *self, PyObject *value, void *maximum)
{
    Context *c = CONTEXT(self);
    long version;
    if (refuse_delete(value) < 0 || !PyArg_Parse(value, "l", &version)) return -1;
    if (version > INT_MAX) return PyErr_SetString(PyExc_OverflowError, "Option is too long"), -1;
    if (c->protocol != PROTOCOL_TLS && c->protocol != PROTOCOL_TLS_CLIENT && c->protocol != PROTOCOL_TLS_SERVER) {
        PyErr_SetString(PyExc_ValueError, "The context's protocol doesn't support modification of highest and lowest version.");
        return -1;
    }
    switch (version) {
    case SSL3_VERSION: if (warn_deprecated("ssl.TLSVersion.SSLv3 is") < 0) return -1; break;
    case TLS1_VERSION: if (warn_deprecated("ssl.TLSVersion.TLSv1 is") < 0) return -1; break;
    case TLS1_1_VERSION: if (warn_deprecated("ssl.TLSVersion.TLSv1_1 is") < 0) return -1; break;
    case -2: version = maximum ? TLS1_VERSION : 0; break;
    case -1: version = maximum ? 0 : TLS1_3_VERSION; break;
    case TLS1_2_VERSION: case TLS1_3_VERSION: break;
    default: return PyErr_Format(PyExc_ValueError, "Unsupported TLS/SSL version 0x%x", (int)version), -1;
    }
    if (maximum ? SSL_CTX_set_max_proto_version(c->ctx, version) : SSL_CTX_set_min_proto_version(c->ctx, version)) return 0;
    ERR_clear_error();
    PyErr_Format(PyExc_ValueError, "Unsupported protocol version 0x%x", (int)version);
    return -1;
}

static PyObject *context_get_num_tickets(PyObject *self, void *Py_UNUSED(closure)) { return PyLong_FromSize_t(SSL_CTX_get_num_tickets(CONTEXT(self)->ctx)); }

static int context_set_num_tickets(PyObject *self, PyObject *value, void *Py_UNUSED(closure))
{
    long n;
    if (refuse_delete(value) < 0 || !PyArg_Parse(value, "l", &n)) return -1;
    if (n < 0) return PyErr_SetString(PyExc_ValueError, "value must be non-negative"), -1;
    if (CONTEXT(self)->protocol != PROTOCOL_TLS_SERVER) return PyErr_SetString(PyExc_ValueError, "SSLContext is not a server context."), -1;
    if (SSL_CTX_set_num_tickets(CONTEXT(self)->ctx, (size_t)n) == 1) return 0;
    return PyErr_SetString(PyExc_ValueError, "failed to set num tickets."), -1;
}

static PyObject *context_get_post_handshake_auth(PyObject *self, void *Py_UNUSED(closure)) { return PyBool_FromLong(CONTEXT(self)->post_handshake_auth); }

static int context_set_post_handshake_auth(PyObject *self, PyObject *value, void *Py_UNUSED(closure))
{
    if (!value) return PyErr_SetString(PyExc_AttributeError, "cannot delete attribute"), -1;
    int on = PyObject_IsTrue(value);
    if (on < 0) return -1;
    CONTEXT(self)->post_handshake_auth = on;
    return 0;
}

static PyObject *context_get_security_level(PyObject *self, void *Py_UNUSED(closure)) { return PyLong_FromLong(SSL_CTX_get_security_level(CONTEXT(self)->ctx)); }
static PyObject *context_get_protocol(PyObject *self, void *Py_UNUSED(closure)) { return PyLong_FromLong(CONTEXT(self)->protocol); }

/* ---- ciphers, protocols, curves ------------------------------------------------------------------------------------------ */

BUILTIN_O(context, set_ciphers, "($self, cipherlist, /)", "The ciphers to offer or accept up to TLS 1.2, in OpenSSL's format.")
{
    Context *c = CONTEXT(self);
    const char *list = str_argument(arg, "set_ciphers() argument");
    if (!list) return NULL;
    /* Others may be waiting here, too, with neither lock nor GIL; the last of them opens the context again. */
    __atomic_add_fetch(&c->changing, 1, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(&c->inside, __ATOMIC_SEQ_CST)) {
        Py_BEGIN_ALLOW_THREADS
        usleep(20);
        Py_END_ALLOW_THREADS
    }
    int set = SSL_CTX_set_cipher_list(c->ctx, list);
    __atomic_sub_fetch(&c->changing, 1, __ATOMIC_SEQ_CST);
    if (set) Py_RETURN_NONE;
    ERR_clear_error();
    PyErr_SetString(c->state->error, "No cipher can be selected.");
    return NULL;
}

static const char *nid_name(int nid) { return nid == NID_undef ? NULL : OBJ_nid2ln(nid); }

static PyObject *cipher_dict(const SSL_CIPHER *cipher)
{
    char description[512] = "";
    if (SSL_CIPHER_description(cipher, description, sizeof description - 1)) {
        size_t n = strlen(description);
        if (n && description[n - 1] == '\n') description[n - 1] = 0;
    }
    int algorithm_bits, bits = SSL_CIPHER_get_bits(cipher, &algorithm_bits);
    return Py_BuildValue("{sksssssssisisOszszszsz}", "id", (unsigned long)SSL_CIPHER_get_id(cipher), "name", SSL_CIPHER_get_name(cipher),
                         "protocol", SSL_CIPHER_get_version(cipher), "description", description, "strength_bits", bits, "alg_bits", algorithm_bits,
                         "aead", SSL_CIPHER_is_aead(cipher) ? Py_True : Py_False, "symmetric", nid_name(SSL_CIPHER_get_cipher_nid(cipher)),
                         "digest", nid_name(SSL_CIPHER_get_digest_nid(cipher)), "kea", nid_name(SSL_CIPHER_get_kx_nid(cipher)),
                         "auth", nid_name(SSL_CIPHER_get_auth_nid(cipher)));
}

BUILTIN_NOARGS(context, get_ciphers, "($self, /)", "A dict of each cipher that is enabled, in order of preference.")
{
    Context *c = CONTEXT(self);
    bool taken = lock_take(&c->lock);
    SSL *ssl = SSL_new(c->ctx);
    lock_release(&c->lock, taken);
    if (!ssl) return raise_last(c->state, LINE_SSL_NEW);
    STACK_OF(SSL_CIPHER) *ciphers = SSL_get_ciphers(ssl);
    PyObject *list = PyList_New(0);
    for (int i = 0; list && i < sk_SSL_CIPHER_num(ciphers); i++) {
        PyObject *dict = cipher_dict(sk_SSL_CIPHER_value(ciphers, i));
        if (!dict || PyList_Append(list, dict) < 0) Py_CLEAR(list);
        Py_XDECREF(dict);
    }
    SSL_free(ssl);
    return list;
}

BUILTIN_O(context, _set_alpn_protocols, "($self, protos, /)", "The protocols to offer or accept, each after a byte with its length.")
{
    Context *c = CONTEXT(self);
    Py_buffer view;
    if (PyObject_GetBuffer(arg, &view, PyBUF_SIMPLE) < 0) return NULL;
    unsigned char *copy = NULL;
    if (view.len > UINT_MAX) PyErr_Format(PyExc_OverflowError, "protocols longer than %u bytes", UINT_MAX);
    else if (!(copy = PyMem_Malloc(view.len ? (size_t)view.len : 1))) PyErr_NoMemory();
    else {
        memcpy(copy, view.buf, (size_t)view.len);
        PyMem_Free(c->alpn);
        c->alpn = copy;
        c->alpn_size = (unsigned)view.len;
    }
    PyBuffer_Release(&view);
    if (!copy) return NULL;
    /* 1 for bytes that are no list of protocols, too. */
    if (SSL_CTX_set_alpn_protos(c->ctx, c->alpn, c->alpn_size)) {
        ERR_clear_error();
        return PyErr_NoMemory();
    }
    SSL_CTX_set_alpn_select_cb(c->ctx, callback_alpn, c);
    Py_RETURN_NONE;
}

BUILTIN_O(context, set_ecdh_curve, "($self, name, /)", "The curve for key exchange.")
{
    Context *c = CONTEXT(self);
    PyObject *name;
    if (!PyUnicode_FSConverter(arg, &name)) return NULL;
    int nid = OBJ_sn2nid(PyBytes_AS_STRING(name));
    Py_DECREF(name);
    if (nid == NID_undef) {
        ERR_clear_error();
        return PyErr_Format(PyExc_ValueError, "unknown elliptic curve name %R", arg);
    }
    if (!SSL_CTX_set1_groups(c->ctx, &nid, 1)) return raise_last(c->state, LINE_CURVE);
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(context, session_stats, "($self, /)", "Counts of sessions and handshakes.")
{
    SSL_CTX *ctx = CONTEXT(self)->ctx;
    return Py_BuildValue("{slslslslslslslslslslsl}", "number", SSL_CTX_sess_number(ctx), "connect", SSL_CTX_sess_connect(ctx),
                         "connect_good", SSL_CTX_sess_connect_good(ctx), "connect_renegotiate", SSL_CTX_sess_connect_renegotiate(ctx),
                         "accept", SSL_CTX_sess_accept(ctx), "accept_good", SSL_CTX_sess_accept_good(ctx),
                         "accept_renegotiate", SSL_CTX_sess_accept_renegotiate(ctx), "hits", SSL_CTX_sess_hits(ctx),
                         "misses", SSL_CTX_sess_misses(ctx), "timeouts", SSL_CTX_sess_timeouts(ctx), "cache_full", SSL_CTX_sess_cache_full(ctx));
}

/* ---- connections --------------------------------------------------------------------------------------------------------- */

/* The name as ASCII; NULL without exception for None. 0 or -1; to be freed with PyMem_Free. */
static int hostname_argument(PyObject *value, char **name)
{
    *name = NULL;
    return !value || value == Py_None || PyArg_Parse(value, "es", "ascii", name) ? 0 : -1;
}

static int type_argument(PyObject *value, PyTypeObject *type, const char *what)
{
    if (PyObject_TypeCheck(value, type)) return 0;
    PyErr_Format(PyExc_TypeError, "%s must be %s, not %.50s", what, type->tp_name, value == Py_None ? "None" : Py_TYPE(value)->tp_name);
    return -1;
}

BUILTIN(context, _wrap_socket, KEYWORDS, "($self, /, sock, server_side, server_hostname=None, *, owner=None, session=None)",
        "A connection over a socket.")
{
    Context *c = CONTEXT(self);
    char *name;
    if (type_argument(arg[0], c->state->socket->Sock_Type, "_wrap_socket() argument 'sock'") < 0) return NULL;
    int server = PyObject_IsTrue(arg[1]);
    if (server < 0 || hostname_argument(arg[2], &name) < 0) return NULL;
    PyObject *connection = connection_new(c, arg[0], NULL, NULL, server, name, arg[3], arg[4]);
    PyMem_Free(name);
    return connection;
}

BUILTIN(context, _wrap_bio, KEYWORDS, "($self, /, incoming, outgoing, server_side, server_hostname=None, *, owner=None, session=None)",
        "A connection over a pair of MemoryBIO.")
{
    Context *c = CONTEXT(self);
    char *name;
    if (type_argument(arg[0], c->state->memory_bio, "_wrap_bio() argument 'incoming'") < 0) return NULL;
    if (type_argument(arg[1], c->state->memory_bio, "_wrap_bio() argument 'outgoing'") < 0) return NULL;
    int server = PyObject_IsTrue(arg[2]);
    if (server < 0 || hostname_argument(arg[3], &name) < 0) return NULL;
    PyObject *connection = connection_new(c, NULL, MEMORY_BIO(arg[0]), MEMORY_BIO(arg[1]), server, name, arg[4], arg[5]);
    PyMem_Free(name);
    return connection;
}

/* ---- methods of the other files ------------------------------------------------------------------------------------------ */

BUILTIN(context, load_cert_chain, KEYWORDS, "($self, /, certfile, keyfile=None, password=None)", "The certificate and key to show to the other side.")
{
    return context_load_chain(CONTEXT(self), arg[0], arg[1], arg[2]);
}

BUILTIN(context, load_verify_locations, KEYWORDS, "($self, /, cafile=None, capath=None, cadata=None)", "Certificates of authorities to trust.")
{
    return context_load_authorities(CONTEXT(self), arg[0], arg[1], arg[2]);
}

BUILTIN_O(context, load_dh_params, "($self, path, /)", "Parameters for Diffie-Hellman key exchange.") { return context_load_dh(CONTEXT(self), arg); }

BUILTIN_NOARGS(context, set_default_verify_paths, "($self, /)", "Trust the authorities that the system trusts.")
{
    ERR_clear_error();
    if (!SSL_CTX_set_default_verify_paths(CONTEXT(self)->ctx)) return raise_last(CONTEXT(self)->state, LINE_DEFAULT_PATHS);
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(context, cert_store_stats, "($self, /)", "Counts of certificates and revocation lists that are loaded.")
{
    return context_store_stats(CONTEXT(self));
}

BUILTIN(context, get_ca_certs, KEYWORDS, "($self, /, binary_form=False)", "The authorities' certificates that are loaded, as dicts or DER.")
{
    int binary = arg[0] ? PyObject_IsTrue(arg[0]) : 0;
    return binary < 0 ? NULL : context_authorities(CONTEXT(self), binary);
}

BUILTIN(context, set_psk_client_callback, KEYWORDS, "($self, /, callback)", "callback(hint) gives (identity, key).")
{
    return context_set_psk_client(CONTEXT(self), arg[0]);
}

BUILTIN(context, set_psk_server_callback, KEYWORDS, "($self, /, callback, identity_hint=None)", "callback(identity) gives the key.")
{
    return context_set_psk_server(CONTEXT(self), arg[0], arg[1]);
}

/* ---- the type ------------------------------------------------------------------------------------------------------------ */

static PyMethodDef context_methods[] = {
    METHOD(context, _wrap_socket), METHOD(context, _wrap_bio), METHOD(context, set_ciphers), METHOD(context, get_ciphers),
    METHOD(context, _set_alpn_protocols), METHOD(context, set_ecdh_curve), METHOD(context, session_stats), METHOD(context, load_cert_chain),
    METHOD(context, load_verify_locations), METHOD(context, load_dh_params), METHOD(context, set_default_verify_paths),
    METHOD(context, cert_store_stats), METHOD(context, get_ca_certs), METHOD(context, set_psk_client_callback),
    METHOD(context, set_psk_server_callback), { 0 },
};

static PyGetSetDef context_getset[] = {
    { "check_hostname", context_get_check_hostname, context_set_check_hostname, NULL, NULL },
    { "_host_flags", context_get_host_flags, context_set_host_flags, NULL, NULL },
    { "minimum_version", context_get_version, context_set_version, NULL, NULL },
    { "maximum_version", context_get_version, context_set_version, NULL, (void *)1 },
    { "keylog_filename", context_get_keylog, context_set_keylog, NULL, NULL },
    { "_msg_callback", context_get_msg_callback, context_set_msg_callback, NULL, NULL },
    { "sni_callback", context_get_sni_callback, context_set_sni_callback, "Called when the client names the server that it wants.", NULL },
    { "num_tickets", context_get_num_tickets, context_set_num_tickets, "Control the number of TLSv1.3 session tickets.", NULL },
    { "options", context_get_options, context_set_options, NULL, NULL },
    { "post_handshake_auth", context_get_post_handshake_auth, context_set_post_handshake_auth, NULL, NULL },
    { "protocol", context_get_protocol, NULL, NULL, NULL },
    { "verify_flags", context_get_verify_flags, context_set_verify_flags, NULL, NULL },
    { "verify_mode", context_get_verify_mode, context_set_verify_mode_attribute, NULL, NULL },
    { "security_level", context_get_security_level, NULL, "The current security level.", NULL },
    { 0 },
};

static PyType_Slot context_slots[] = {
    SLOT(tp_new, context_new), SLOT(tp_dealloc, context_dealloc), SLOT(tp_traverse, context_traverse), SLOT(tp_clear, context_clear),
    SLOT(tp_methods, context_methods), SLOT(tp_getset, context_getset), { 0, NULL },
};
PyType_Spec context_spec = {
    "_ssl._SSLContext", sizeof(Context), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_HAVE_GC, context_slots,
};
