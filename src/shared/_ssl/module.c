/* The _ssl module: constants, random numbers, object identifiers, and putting the parts together. */
#include "ssl_private.h"

#include <math.h>
#include <limits.h>
#include <openssl/rand.h>

/* ---- random numbers ------------------------------------------------------------------------------------------------------ */

/* "y*", but text is taken as UTF-8. */
BUILTIN(ssl, RAND_add, POSITIONAL, "($module, string, entropy, /)", "Mix the string into the generator's state; entropy is a lower bound on what it holds.")
{
    Py_buffer view;
    if (PyUnicode_Check(arg[0])) {
        Py_ssize_t n;
        const char *text = PyUnicode_AsUTF8AndSize(arg[0], &n);
        if (!text || PyBuffer_FillInfo(&view, arg[0], (void *)text, n, 1, PyBUF_SIMPLE) < 0) return NULL;
    }
    else if (PyObject_GetBuffer(arg[0], &view, PyBUF_SIMPLE) < 0) return NULL;
    double entropy = PyFloat_AsDouble(arg[1]);
    if (entropy == -1.0 && PyErr_Occurred()) {
        PyBuffer_Release(&view);
        return NULL;
    }
    const char *data = view.buf;
    for (Py_ssize_t left = view.len; ; ) {
        int piece = left > INT_MAX ? INT_MAX : (int)left;
        RAND_add(data, piece, entropy);
        left -= piece;
        data += piece;
        if (!left) break;
    }
    PyBuffer_Release(&view);
    Py_RETURN_NONE;
}

BUILTIN_O(ssl, RAND_bytes, "($module, n, /)", "n bytes that are fit for cryptography.")
{
    int n = PyLong_AsInt(arg);
    if (n == -1 && PyErr_Occurred()) return NULL;
    if (n < 0) return PyErr_SetString(PyExc_ValueError, "num must be positive"), NULL;
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, n);
    if (!bytes || RAND_bytes((unsigned char *)PyBytes_AS_STRING(bytes), n) == 1) return bytes;
    Py_DECREF(bytes);
    SslState *state = PyModule_GetState(self);
    unsigned long code = ERR_get_error();
    PyObject *value = Py_BuildValue("(ks)", code, ERR_reason_error_string(code));
    if (value) PyErr_SetObject(state->error, value);
    Py_XDECREF(value);
    return NULL;
}

BUILTIN_NOARGS(ssl, RAND_status, "($module, /)", "Has the generator been seeded?") { return PyBool_FromLong(RAND_status()); }

/* ---- object identifiers -------------------------------------------------------------------------------------------------- */

/* Frees the object. */
static PyObject *object_tuple(SslState *state, ASN1_OBJECT *object)
{
    int nid = OBJ_obj2nid(object);
    PyObject *result = NULL;
    char oid[512];
    if (nid == NID_undef) PyErr_SetString(PyExc_ValueError, "Unknown object");
    else {
        const char *sn = OBJ_nid2sn(nid), *ln = OBJ_nid2ln(nid);
        int n = OBJ_obj2txt(oid, sizeof oid, object, 1);
        if (n < 0) raise_last(state, LINE_NAME);
        else result = Py_BuildValue("isss", nid, sn, ln, n ? oid : NULL);
    }
    ASN1_OBJECT_free(object);
    return result;
}

BUILTIN(ssl, txt2obj, KEYWORDS, "($module, /, txt, name=False)", "Look up an object by OID; with name=True also by its names.")
{
    const char *text = str_argument(arg[0], "txt2obj() argument 'txt'");
    int by_name = arg[1] ? PyObject_IsTrue(arg[1]) : 0;
    if (!text || by_name < 0) return NULL;
    ASN1_OBJECT *object = OBJ_txt2obj(text, !by_name);
    if (object) return object_tuple(PyModule_GetState(self), object);
    ERR_clear_error();
    return PyErr_Format(PyExc_ValueError, "unknown object '%.100s'", text);
}

BUILTIN_O(ssl, nid2obj, "($module, nid, /)", "Look up an object by the library's number.")
{
    int nid = PyLong_AsInt(arg);
    if (nid == -1 && PyErr_Occurred()) return NULL;
    if (nid < NID_undef) return PyErr_SetString(PyExc_ValueError, "NID must be positive."), NULL;
    ASN1_OBJECT *object = OBJ_nid2obj(nid);
    if (object) return object_tuple(PyModule_GetState(self), object);
    ERR_clear_error();
    return PyErr_Format(PyExc_ValueError, "unknown NID %i", nid);
}

/* ---- the rest ------------------------------------------------------------------------------------------------------------ */

BUILTIN_NOARGS(ssl, get_default_verify_paths, "($module, /)", "Environment variables and paths of the default certificates: (file_env, file, dir_env, dir).")
{
    PyObject *result = PyTuple_New(4);
    const char *texts[] = { X509_get_default_cert_file_env(), X509_get_default_cert_file(), X509_get_default_cert_dir_env(), X509_get_default_cert_dir() };
    for (int i = 0; result && i < 4; i++) {
        PyObject *text = texts[i] ? PyUnicode_DecodeFSDefault(texts[i]) : Py_NewRef(Py_None);
        if (!text) Py_CLEAR(result);
        else PyTuple_SET_ITEM(result, i, text);
    }
    return result;
}

BUILTIN_O(ssl, _test_decode_cert, "($module, path, /)", "The dict of a certificate in a file.")
{
    SslState *state = PyModule_GetState(self);
    PyObject *path, *result = NULL;
    if (!PyUnicode_FSConverter(arg, &path)) return NULL;
    BIO *file = BIO_new_file(PyBytes_AS_STRING(path), "r");
    Py_DECREF(path);
    if (!file) PyErr_SetString(state->error, "Can't open file");
    else {
        X509 *x509 = PEM_read_bio_X509(file, NULL, NULL, NULL);
        if (x509) result = certificate_decode(state, x509);
        else PyErr_SetString(state->error, "Error decoding PEM-encoded file");
        X509_free(x509);
        BIO_free(file);
    }
    ERR_clear_error();
    return result;
}

static PyMethodDef ssl_methods[] = {
    METHOD(ssl, RAND_add), METHOD(ssl, RAND_bytes), METHOD(ssl, RAND_status), METHOD(ssl, txt2obj), METHOD(ssl, nid2obj),
    METHOD(ssl, get_default_verify_paths), METHOD(ssl, _test_decode_cert), { 0 },
};

/* ---- constants ----------------------------------------------------------------------------------------------------------- */

static const struct { const char *name; long long value; } numbers[] = {
    { "SSL_ERROR_ZERO_RETURN", ERROR_ZERO_RETURN }, { "SSL_ERROR_WANT_READ", ERROR_WANT_READ }, { "SSL_ERROR_WANT_WRITE", ERROR_WANT_WRITE },
    { "SSL_ERROR_WANT_X509_LOOKUP", ERROR_WANT_X509_LOOKUP }, { "SSL_ERROR_SYSCALL", ERROR_SYSCALL }, { "SSL_ERROR_SSL", ERROR_SSL },
    { "SSL_ERROR_WANT_CONNECT", ERROR_WANT_CONNECT }, { "SSL_ERROR_EOF", ERROR_EOF }, { "SSL_ERROR_INVALID_ERROR_CODE", ERROR_INVALID_CODE },
    { "CERT_NONE", CERT_NONE }, { "CERT_OPTIONAL", CERT_OPTIONAL }, { "CERT_REQUIRED", CERT_REQUIRED },
    { "VERIFY_DEFAULT", 0 }, { "VERIFY_CRL_CHECK_LEAF", X509_V_FLAG_CRL_CHECK },
    { "VERIFY_CRL_CHECK_CHAIN", X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL }, { "VERIFY_X509_STRICT", X509_V_FLAG_X509_STRICT },
    { "VERIFY_ALLOW_PROXY_CERTS", X509_V_FLAG_ALLOW_PROXY_CERTS }, { "VERIFY_X509_TRUSTED_FIRST", X509_V_FLAG_TRUSTED_FIRST },
    { "VERIFY_X509_PARTIAL_CHAIN", X509_V_FLAG_PARTIAL_CHAIN },
#define ALERT(python, library) { "ALERT_DESCRIPTION_" #python, SSL_AD_##library },
    ALERT(CLOSE_NOTIFY, CLOSE_NOTIFY) ALERT(UNEXPECTED_MESSAGE, UNEXPECTED_MESSAGE) ALERT(BAD_RECORD_MAC, BAD_RECORD_MAC)
    ALERT(RECORD_OVERFLOW, RECORD_OVERFLOW) ALERT(DECOMPRESSION_FAILURE, DECOMPRESSION_FAILURE) ALERT(HANDSHAKE_FAILURE, HANDSHAKE_FAILURE)
    ALERT(BAD_CERTIFICATE, BAD_CERTIFICATE) ALERT(UNSUPPORTED_CERTIFICATE, UNSUPPORTED_CERTIFICATE)
    ALERT(CERTIFICATE_REVOKED, CERTIFICATE_REVOKED) ALERT(CERTIFICATE_EXPIRED, CERTIFICATE_EXPIRED)
    ALERT(CERTIFICATE_UNKNOWN, CERTIFICATE_UNKNOWN) ALERT(ILLEGAL_PARAMETER, ILLEGAL_PARAMETER) ALERT(UNKNOWN_CA, UNKNOWN_CA)
    ALERT(ACCESS_DENIED, ACCESS_DENIED) ALERT(DECODE_ERROR, DECODE_ERROR) ALERT(DECRYPT_ERROR, DECRYPT_ERROR)
    ALERT(PROTOCOL_VERSION, PROTOCOL_VERSION) ALERT(INSUFFICIENT_SECURITY, INSUFFICIENT_SECURITY) ALERT(INTERNAL_ERROR, INTERNAL_ERROR)
    ALERT(USER_CANCELLED, USER_CANCELLED) ALERT(NO_RENEGOTIATION, NO_RENEGOTIATION) ALERT(UNSUPPORTED_EXTENSION, UNSUPPORTED_EXTENSION)
    ALERT(CERTIFICATE_UNOBTAINABLE, CERTIFICATE_UNOBTAINABLE) ALERT(UNRECOGNIZED_NAME, UNRECOGNIZED_NAME)
    ALERT(BAD_CERTIFICATE_STATUS_RESPONSE, BAD_CERTIFICATE_STATUS_RESPONSE) ALERT(BAD_CERTIFICATE_HASH_VALUE, BAD_CERTIFICATE_HASH_VALUE)
    ALERT(UNKNOWN_PSK_IDENTITY, UNKNOWN_PSK_IDENTITY)
    { "PROTOCOL_SSLv23", PROTOCOL_TLS }, { "PROTOCOL_TLS", PROTOCOL_TLS }, { "PROTOCOL_TLS_CLIENT", PROTOCOL_TLS_CLIENT },
    { "PROTOCOL_TLS_SERVER", PROTOCOL_TLS_SERVER }, { "PROTOCOL_TLSv1", PROTOCOL_TLSv1 }, { "PROTOCOL_TLSv1_1", PROTOCOL_TLSv1_1 },
    { "PROTOCOL_TLSv1_2", PROTOCOL_TLSv1_2 },
#define OPTION(name) { "OP_" #name, (long long)SSL_OP_##name },
    { "OP_ALL", (long long)(SSL_OP_ALL & ~SSL_OP_DONT_INSERT_EMPTY_FRAGMENTS) },
    OPTION(NO_SSLv2) OPTION(NO_SSLv3) OPTION(NO_TLSv1) OPTION(NO_TLSv1_1) OPTION(NO_TLSv1_2) OPTION(NO_TLSv1_3) OPTION(CIPHER_SERVER_PREFERENCE)
    OPTION(SINGLE_DH_USE) OPTION(NO_TICKET) OPTION(LEGACY_SERVER_CONNECT) OPTION(SINGLE_ECDH_USE) OPTION(NO_COMPRESSION)
    OPTION(ENABLE_MIDDLEBOX_COMPAT) OPTION(NO_RENEGOTIATION) OPTION(IGNORE_UNEXPECTED_EOF) OPTION(ENABLE_KTLS)
    { "HOSTFLAG_ALWAYS_CHECK_SUBJECT", X509_CHECK_FLAG_ALWAYS_CHECK_SUBJECT }, { "HOSTFLAG_NEVER_CHECK_SUBJECT", X509_CHECK_FLAG_NEVER_CHECK_SUBJECT },
    { "HOSTFLAG_NO_WILDCARDS", X509_CHECK_FLAG_NO_WILDCARDS }, { "HOSTFLAG_NO_PARTIAL_WILDCARDS", X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS },
    { "HOSTFLAG_MULTI_LABEL_WILDCARDS", X509_CHECK_FLAG_MULTI_LABEL_WILDCARDS },
    { "HOSTFLAG_SINGLE_LABEL_SUBDOMAINS", X509_CHECK_FLAG_SINGLE_LABEL_SUBDOMAINS },
    { "ENCODING_PEM", ENCODING_PEM }, { "ENCODING_DER", ENCODING_DER },
    { "PROTO_MINIMUM_SUPPORTED", -2 }, { "PROTO_MAXIMUM_SUPPORTED", -1 }, { "PROTO_SSLv3", SSL3_VERSION }, { "PROTO_TLSv1", TLS1_VERSION },
    { "PROTO_TLSv1_1", TLS1_1_VERSION }, { "PROTO_TLSv1_2", TLS1_2_VERSION }, { "PROTO_TLSv1_3", TLS1_3_VERSION },
};

static const struct { const char *name; bool value; } features[] = {
    { "HAS_SNI", true }, { "HAS_TLS_UNIQUE", true }, { "HAS_ECDH", true }, { "HAS_NPN", false }, { "HAS_ALPN", true }, { "HAS_SSLv2", false },
    { "HAS_SSLv3", false }, { "HAS_TLSv1", true }, { "HAS_TLSv1_1", true }, { "HAS_TLSv1_2", true }, { "HAS_TLSv1_3", true },
#ifdef OPENSSL_NO_PSK
    { "HAS_PSK", false },
#else
    { "HAS_PSK", true },
#endif
};

static PyObject *version_tuple(unsigned long version)
{
    return Py_BuildValue("IIIII", (unsigned)(version >> 28 & 0xFF), (unsigned)(version >> 20 & 0xFF), (unsigned)(version >> 12 & 0xFF),
                         (unsigned)(version >> 4 & 0xFF), (unsigned)(version & 0xF));
}

static int add_constants(PyObject *module)
{
    for (size_t i = 0; i < ARRAY_LENGTH(numbers); i++)
        if (PyModule_Add(module, numbers[i].name, PyLong_FromLongLong(numbers[i].value)) < 0) return -1;
    for (size_t i = 0; i < ARRAY_LENGTH(features); i++)
        if (PyModule_AddObjectRef(module, features[i].name, features[i].value ? Py_True : Py_False) < 0) return -1;
    if (PyModule_AddStringConstant(module, "_DEFAULT_CIPHERS", SSL_DEFAULT_CIPHER_LIST) < 0) return -1;
    if (PyModule_Add(module, "OPENSSL_VERSION_NUMBER", PyLong_FromUnsignedLong(OpenSSL_version_num())) < 0) return -1;
    if (PyModule_Add(module, "OPENSSL_VERSION_INFO", version_tuple(OpenSSL_version_num())) < 0) return -1;
    if (PyModule_Add(module, "OPENSSL_VERSION", PyUnicode_FromString(OpenSSL_version(OPENSSL_VERSION))) < 0) return -1;
    return PyModule_Add(module, "_OPENSSL_API_VERSION", version_tuple(OPENSSL_VERSION_NUMBER));
}

/* ---- the module ---------------------------------------------------------------------------------------------------------- */

static int fetch_socket(SslState *state)
{
    PyObject *module = PyImport_ImportModule("_socket");
    if (!module) return -1;
    state->socket_capsule = PyObject_GetAttrString(module, "CAPI");
    Py_DECREF(module);
    if (!state->socket_capsule) return -1;
    state->socket = PyCapsule_GetPointer(state->socket_capsule, "_socket.CAPI");
    return state->socket ? 0 : -1;
}

static int ssl_exec(PyObject *module)
{
    SslState *state = PyModule_GetState(module);
    if (fetch_socket(state) < 0 || errors_add(module, state) < 0 || add_constants(module) < 0) return -1;
    if (module_add_type(module, &context_spec, &state->context) < 0 || module_add_type(module, &connection_spec, &state->connection) < 0 ||
        module_add_type(module, &memory_bio_spec, &state->memory_bio) < 0 || module_add_type(module, &session_spec, &state->session) < 0 ||
        module_add_type(module, &certificate_spec, &state->certificate) < 0) return -1;
    return 0;
}

static int ssl_traverse(PyObject *module, visitproc visit, void *arg)
{
    SslState *s = PyModule_GetState(module);
    PyObject *all[] = { OBJECT(s->context), OBJECT(s->connection), OBJECT(s->memory_bio), OBJECT(s->session), OBJECT(s->certificate), s->error,
                        s->zero_return, s->want_read, s->want_write, s->system_call, s->end_of_file, s->verification, s->socket_capsule };
    for (size_t i = 0; i < ARRAY_LENGTH(all); i++) Py_VISIT(all[i]);
    return 0;
}

static int ssl_clear(PyObject *module)
{
    SslState *s = PyModule_GetState(module);
    Py_CLEAR(s->context);
    Py_CLEAR(s->connection);
    Py_CLEAR(s->memory_bio);
    Py_CLEAR(s->session);
    Py_CLEAR(s->certificate);
    Py_CLEAR(s->error);
    Py_CLEAR(s->zero_return);
    Py_CLEAR(s->want_read);
    Py_CLEAR(s->want_write);
    Py_CLEAR(s->system_call);
    Py_CLEAR(s->end_of_file);
    Py_CLEAR(s->verification);
    return 0;
}

/* Connections look into what the capsule holds for as long as they live. */
static void ssl_free(void *module)
{
    ssl_clear(module);
    SslState *s = PyModule_GetState(module);
    Py_CLEAR(s->socket_capsule);
    Py_CLEAR(s->reason_name);
    Py_CLEAR(s->library_name);
}

static PyModuleDef_Slot ssl_slots[] = { { Py_mod_exec, ssl_exec }, MODULE_SLOTS_COMMON, { 0, NULL } };
static PyModuleDef ssl_module = {
    PyModuleDef_HEAD_INIT, "_ssl", "TLS over OpenSSL: the implementation of the ssl module.", sizeof(SslState), ssl_methods, ssl_slots,
    ssl_traverse, ssl_clear, ssl_free,
};

/* Of a type of this module, or of one derived from it. */
SslState *state_of(PyTypeObject *type)
{
    PyObject *module = PyType_GetModuleByDef(type, &ssl_module);
    return module ? PyModule_GetState(module) : NULL;
}

PyMODINIT_FUNC PyInit__ssl(void) { return PyModuleDef_Init(&ssl_module); }
