/* Functions that a connection's library calls back: names of servers, messages, the key log, shared keys, protocols.
 *
 * They run in the thread that called the library, with the connection's lock taken and the GIL given up or not; callback_begin()
 * takes it where needed. An exception cannot go through the library: it is reported as unraisable, or kept and raised when the
 * call returns. */
#include "ssl_private.h"

/* Keeps the exception that is set. */
static void keep_exception(Connection *c)
{
    PyObject *raised = PyErr_GetRaisedException();
    SET_FIELD(c->pending, raised);
}

static PyObject *object_or_none(PyObject *o) { return Py_NewRef(o ? o : Py_None); }

/* ---- names of servers ---------------------------------------------------------------------------------------------------- */

/* Calls the function. SSL_TLSEXT_ERR_OK, or the other with *alert. */
static int sni_call(Context *context, Connection *c, const char *name, int *alert)
{
    int status = SSL_TLSEXT_ERR_ALERT_FATAL;
    PyObject *function = Py_NewRef(context->sni_callback), *shown = connection_shown(c), *text = NULL, *result = NULL;
    *alert = SSL_AD_INTERNAL_ERROR;
    if (!shown) goto done;
    if (name && !(text = PyUnicode_DecodeASCII(name, (Py_ssize_t)strlen(name), NULL))) {
        PyErr_WriteUnraisable(OBJECT(context));
        goto done;
    }
    result = PyObject_CallFunctionObjArgs(function, shown, text ? text : Py_None, OBJECT(context), NULL);
    if (!result) {
        PyErr_WriteUnraisable(function);
        *alert = SSL_AD_HANDSHAKE_FAILURE;
    }
    else if (result == Py_None) status = SSL_TLSEXT_ERR_OK;
    else {
        *alert = (int)PyLong_AsLong(result);
        if (PyErr_Occurred()) {
            PyErr_WriteUnraisable(result);
            *alert = SSL_AD_INTERNAL_ERROR;
        }
    }
done:
    Py_XDECREF(result);
    Py_XDECREF(text);
    Py_XDECREF(shown);
    Py_DECREF(function);
    return status;
}

static int callback_sni(SSL *ssl, int *alert, void *data)
{
    Connection *c = SSL_get_app_data(ssl);
    Context *context = data;
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    PyThreadState *left;
    callback_begin(c, &left);
    c->choosing = true;
    int status = context->sni_callback ? sni_call(context, c, name, alert) : SSL_TLSEXT_ERR_OK;
    c->choosing = false;
    callback_end(c, left);
    return status;
}

PyObject *context_get_sni_callback(PyObject *self, void *Py_UNUSED(closure)) { return object_or_none(CONTEXT(self)->sni_callback); }

int context_set_sni_callback(PyObject *self, PyObject *value, void *Py_UNUSED(closure))
{
    Context *c = CONTEXT(self);
    if (c->protocol == PROTOCOL_TLS_CLIENT) return PyErr_SetString(PyExc_ValueError, "sni_callback cannot be set on TLS_CLIENT context"), -1;
    bool function = value && PyCallable_Check(value);
    SSL_CTX_set_tlsext_servername_callback(c->ctx, function ? (void (*)(void))callback_sni : NULL);
    SET_FIELD(c->sni_callback, function ? Py_NewRef(value) : NULL);
    if (function || value == Py_None) return 0;
    PyErr_SetString(PyExc_TypeError, "not a callable object");
    return -1;
}

/* ---- messages ------------------------------------------------------------------------------------------------------------ */

/* What kind of message within its content type; the version of a header is in its bytes. */
static int message_type(int content, const unsigned char *data, size_t n, int *version)
{
    switch (content) {
    case SSL3_RT_HEADER:
        if (n >= 3) *version = data[1] << 8 | data[2];
        return n ? data[0] : -1;
    case SSL3_RT_INNER_CONTENT_TYPE: case SSL3_RT_HANDSHAKE: return n ? data[0] : -1;
    case SSL3_RT_CHANGE_CIPHER_SPEC: return SSL3_MT_CHANGE_CIPHER_SPEC;
    case SSL3_RT_ALERT: return n > 1 ? data[1] : -1;
    default: return -1;
    }
}

static void callback_message(int writing, int version, int content, const void *data, size_t n, SSL *ssl, void *Py_UNUSED(arg))
{
    Connection *c = SSL_get_app_data(ssl);
    PyThreadState *left;
    callback_begin(c, &left);
    PyObject *function = Py_XNewRef(c->context->msg_callback), *shown = function ? connection_shown(c) : NULL;
    if (shown) {
        int type = message_type(content, data, n, &version);
        PyObject *result = PyObject_CallFunction(function, "Osiiiy#", shown, writing ? "write" : "read", version, content, type, data, (Py_ssize_t)n);
        if (!result) keep_exception(c);
        Py_XDECREF(result);
    }
    Py_XDECREF(shown);
    Py_XDECREF(function);
    callback_end(c, left);
}

void context_install_msg_callback(Context *c, SSL *ssl) { SSL_set_msg_callback(ssl, c->msg_callback ? callback_message : NULL); }

PyObject *context_get_msg_callback(PyObject *self, void *Py_UNUSED(closure)) { return object_or_none(CONTEXT(self)->msg_callback); }

int context_set_msg_callback(PyObject *self, PyObject *value, void *Py_UNUSED(closure))
{
    Context *c = CONTEXT(self);
    bool function = value && PyCallable_Check(value);
    SSL_CTX_set_msg_callback(c->ctx, function ? callback_message : NULL);
    SET_FIELD(c->msg_callback, function ? Py_NewRef(value) : NULL);
    if (function || value == Py_None) return 0;
    PyErr_SetString(PyExc_TypeError, "not a callable object");
    return -1;
}

/* ---- the key log --------------------------------------------------------------------------------------------------------- */

static void callback_keylog(const SSL *ssl, const char *line)
{
    Connection *c = SSL_get_app_data(ssl);
    PyThreadState *left;
    callback_begin(c, &left);
    Context *context = c->context;
    if (context->keylog && (fprintf(context->keylog, "%s\n", line) < 0 || fflush(context->keylog) != 0)) {
        PyErr_SetFromErrnoWithFilenameObject(PyExc_OSError, context->keylog_name);
        keep_exception(c);
    }
    callback_end(c, left);
}

static void keylog_close(Context *c)
{
    FILE *file = c->keylog;
    SSL_CTX_set_keylog_callback(c->ctx, NULL);
    c->keylog = NULL;
    if (file) fclose(file);
    Py_CLEAR(c->keylog_name);
}

/* When the SSL_CTX is freed already. */
void context_free_callbacks(Context *c)
{
    if (c->keylog) fclose(c->keylog);
    c->keylog = NULL;
    Py_CLEAR(c->keylog_name);
}

PyObject *context_get_keylog(PyObject *self, void *Py_UNUSED(closure)) { return object_or_none(CONTEXT(self)->keylog_name); }

int context_set_keylog(PyObject *self, PyObject *value, void *Py_UNUSED(closure))
{
    Context *c = CONTEXT(self);
    PyObject *path;
    if (refuse_delete(value) < 0) return -1;
    keylog_close(c);
    if (value == Py_None) return 0;
    if (!PyUnicode_FSConverter(value, &path)) return -1;
    FILE *file = PySys_Audit("open", "Osi", value, "a", 0) < 0 ? NULL : fopen(PyBytes_AS_STRING(path), "ae");
    Py_DECREF(path);
    if (!file) {
        if (!PyErr_Occurred()) PyErr_SetFromErrnoWithFilenameObject(PyExc_OSError, value);
        return -1;
    }
    keylog_close(c);                          /* the audit may have run anything */
    c->keylog = file;
    c->keylog_name = Py_NewRef(value);
    /* A file that is new gets a heading; a pipe does not. */
    if (fseek(file, 0, SEEK_END) == 0 && ftell(file) == 0) {
        fputs("# TLS secrets log file, generated by OpenSSL / Python\n", file);
        fflush(file);
    }
    SSL_CTX_set_keylog_callback(c->ctx, callback_keylog);
    return 0;
}

/* ---- protocols ----------------------------------------------------------------------------------------------------------- */

int callback_alpn(SSL *ssl, const unsigned char **out, unsigned char *size, const unsigned char *in, unsigned in_size, void *arg)
{
    Connection *c = SSL_get_app_data(ssl);
    Context *context = arg;
    PyThreadState *left;
    callback_begin(c, &left);
    /* The result points into `in`, so that it stays when the list is replaced. */
    unsigned char *selected = NULL, n = 0;
    int status = SSL_TLSEXT_ERR_NOACK;
    for (unsigned i = 0; status != SSL_TLSEXT_ERR_OK && i < context->alpn_size; i += context->alpn[i] + 1u) {
        n = context->alpn[i];
        if (!n || n > context->alpn_size - i - 1) break;
        for (unsigned j = 0; j < in_size && in[j] <= in_size - j - 1; j += in[j] + 1u) {
            if (in[j] != n || memcmp(in + j + 1, context->alpn + i + 1, n) != 0) continue;
            selected = (unsigned char *)in + j + 1;
            status = SSL_TLSEXT_ERR_OK;
            break;
        }
    }
    callback_end(c, left);
    if (status == SSL_TLSEXT_ERR_OK) {
        *out = selected;
        *size = n;
    }
    return status;
}

/* ---- shared keys --------------------------------------------------------------------------------------------------------- */

static PyObject *text_or_none(const char *text)
{
    return text && *text ? PyUnicode_DecodeUTF8(text, (Py_ssize_t)strlen(text), "strict") : Py_NewRef(Py_None);
}

/* The size of the key that was put into its buffer; 0: none. */
static unsigned psk_client_call(PyObject *function, const char *hint, char *identity, unsigned max_identity, unsigned char *key, unsigned max_key)
{
    const char *name = NULL, *bytes = NULL;
    Py_ssize_t name_size = 0, size = 0;
    unsigned done = 0;
    PyObject *text = text_or_none(hint), *result = text ? PyObject_CallOneArg(function, text) : NULL;
    Py_XDECREF(text);
    if (result && PyArg_ParseTuple(result, "z#y#", &name, &name_size, &bytes, &size) && (size_t)name_size + 1 <= max_identity && (size_t)size <= max_key) {
        memset(identity, 0, max_identity);
        if (name) memcpy(identity, name, (size_t)name_size);
        memcpy(key, bytes, (size_t)size);
        done = (unsigned)size;
    }
    else if (PyErr_Occurred()) PyErr_WriteUnraisable(function);
    Py_XDECREF(result);
    return done;
}

static unsigned callback_psk_client(SSL *ssl, const char *hint, char *identity, unsigned max_identity, unsigned char *key, unsigned max_key)
{
    Connection *c = SSL_get_app_data(ssl);
    PyThreadState *left;
    callback_begin(c, &left);
    PyObject *function = Py_XNewRef(c->context->psk_client);
    unsigned n = function ? psk_client_call(function, hint, identity, max_identity, key, max_key) : 0;
    Py_XDECREF(function);
    callback_end(c, left);
    return n;
}

static unsigned psk_server_call(PyObject *function, const char *identity, unsigned char *key, unsigned max_key)
{
    unsigned done = 0;
    char *bytes;
    Py_ssize_t size;
    PyObject *text = text_or_none(identity), *result = text ? PyObject_CallOneArg(function, text) : NULL;
    Py_XDECREF(text);
    if (result && !PyBytes_Check(result)) PyErr_Format(PyExc_TypeError, "expected bytes, %.200s found", Py_TYPE(result)->tp_name);
    else if (result && PyBytes_AsStringAndSize(result, &bytes, &size) == 0 && (size_t)size <= max_key) {
        memcpy(key, bytes, (size_t)size);
        done = (unsigned)size;
    }
    if (PyErr_Occurred()) PyErr_WriteUnraisable(function);
    Py_XDECREF(result);
    return done;
}

static unsigned callback_psk_server(SSL *ssl, const char *identity, unsigned char *key, unsigned max_key)
{
    Connection *c = SSL_get_app_data(ssl);
    PyThreadState *left;
    callback_begin(c, &left);
    PyObject *function = Py_XNewRef(c->context->psk_server);
    unsigned n = function ? psk_server_call(function, identity, key, max_key) : 0;
    Py_XDECREF(function);
    callback_end(c, left);
    return n;
}

/* None, or something that can be called. 0 or -1. */
static int psk_argument(PyObject *callback)
{
    if (callback == Py_None || PyCallable_Check(callback)) return 0;
    PyErr_SetString(PyExc_TypeError, "callback must be callable");
    return -1;
}

PyObject *context_set_psk_client(Context *c, PyObject *callback)
{
    if (c->protocol == PROTOCOL_TLS_SERVER)
        return raise_text(c->state, "Cannot add PSK client callback to a PROTOCOL_TLS_SERVER context", LINE_PSK_CLIENT);
    if (psk_argument(callback) < 0) return NULL;
    bool function = callback != Py_None;
    SSL_CTX_set_psk_client_callback(c->ctx, function ? callback_psk_client : NULL);
    SET_FIELD(c->psk_client, function ? Py_NewRef(callback) : NULL);
    Py_RETURN_NONE;
}

PyObject *context_set_psk_server(Context *c, PyObject *callback, PyObject *hint)
{
    const char *text = "";
    if (hint && hint != Py_None && !PyUnicode_Check(hint))
        return PyErr_Format(PyExc_TypeError, "set_psk_server_callback() argument 'identity_hint' must be str or None, not %.50s", Py_TYPE(hint)->tp_name);
    if (hint && hint != Py_None && !(text = str_argument(hint, ""))) return NULL;
    if (c->protocol == PROTOCOL_TLS_CLIENT)
        return raise_text(c->state, "Cannot add PSK server callback to a PROTOCOL_TLS_CLIENT context", LINE_PSK_SERVER);
    if (psk_argument(callback) < 0) return NULL;
    bool function = callback != Py_None;
    if (SSL_CTX_use_psk_identity_hint(c->ctx, function ? text : NULL) != 1) {
        ERR_clear_error();
        return PyErr_SetString(PyExc_ValueError, "failed to set identity hint"), NULL;
    }
    SSL_CTX_set_psk_server_callback(c->ctx, function ? callback_psk_server : NULL);
    SET_FIELD(c->psk_server, function ? Py_NewRef(callback) : NULL);
    Py_RETURN_NONE;
}
