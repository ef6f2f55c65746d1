/* The _hashlib module: hashes, HMAC, PBKDF2 and scrypt of OpenSSL.
 *
 * Hash objects have a mutex, so that two threads that share one never are in the library's context at once; long input is
 * hashed without the GIL. OpenSSL's error queue is emptied whenever an exception is made of it. */
#define OPENSSL_API_COMPAT 0x10101000L        /* HMAC_CTX: what replaces it wants every name looked up anew */
#include "modules/hash/hash_support.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/objects.h>
#include <string.h>

typedef struct HashState { PyTypeObject *hash_type, *xof_type, *hmac_type; PyObject *constructors, *unsupported; } HashState;

typedef struct Hash { PyObject_HEAD EVP_MD_CTX *context; PyMutex mutex; } Hash;
typedef struct Hmac { PyObject_HEAD HMAC_CTX *context; PyMutex mutex; } Hmac;

#define HASH(o) ((Hash *)(o))
#define HMAC_OBJECT(o) ((Hmac *)(o))

static PyModuleDef hashlib_module;

/* What OpenSSL calls the hashes that Python has names of its own for. */
static const struct { const char *python, *openssl; int nid; } names[] = {
    { "md5", "MD5", NID_md5 }, { "sha1", "SHA1", NID_sha1 }, { "sha224", "SHA224", NID_sha224 }, { "sha256", "SHA256", NID_sha256 },
    { "sha384", "SHA384", NID_sha384 }, { "sha512", "SHA512", NID_sha512 }, { "sha512_224", "SHA512-224", NID_sha512_224 },
    { "sha512_256", "SHA512-256", NID_sha512_256 }, { "sha3_224", "SHA3-224", NID_sha3_224 }, { "sha3_256", "SHA3-256", NID_sha3_256 },
    { "sha3_384", "SHA3-384", NID_sha3_384 }, { "sha3_512", "SHA3-512", NID_sha3_512 }, { "shake_128", "SHAKE128", NID_shake128 },
    { "shake_256", "SHAKE256", NID_shake256 }, { "blake2s", "BLAKE2S-256", NID_blake2s256 }, { "blake2b", "BLAKE2B-512", NID_blake2b512 },
};

/* ---- errors -------------------------------------------------------------------------------------------------------------- */

/* Raises what OpenSSL reported last; text when it reported nothing. NULL. */
static void *raise_openssl(PyObject *type, const char *text)
{
    unsigned long code = ERR_peek_last_error();
    if (!code) {
        PyErr_SetString(type, text ? text : "no reason supplied");
        return NULL;
    }
    ERR_clear_error();
    const char *library = ERR_lib_error_string(code), *reason = ERR_reason_error_string(code);
    if (ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE) PyErr_NoMemory();
    else if (library && reason) PyErr_Format(type, "[%s] %s", library, reason);
    else PyErr_SetString(type, reason ? reason : library ? library : "no reason supplied");
    return NULL;
}

/* ---- which hash ---------------------------------------------------------------------------------------------------------- */

static const char *name_of(const EVP_MD *md)
{
    int nid = EVP_MD_type(md);
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) if (names[i].nid == nid) return names[i].python;
    const char *name = OBJ_nid2ln(nid);
    return name ? name : OBJ_nid2sn(nid);
}

/* Owned, NULL with an exception. */
static EVP_MD *find_by_name(HashState *state, const char *name, bool for_security)
{
    const char *openssl = name;
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) if (strcmp(names[i].python, name) == 0) openssl = names[i].openssl;
    EVP_MD *md = EVP_MD_fetch(NULL, openssl, for_security ? NULL : "-fips");
    return md ? md : raise_openssl(state->unsupported, "unsupported hash type");
}

/* A name, or one of this module's constructors. */
static EVP_MD *find_by_digestmod(HashState *state, PyObject *digestmod)
{
    PyObject *name;
    if (PyUnicode_Check(digestmod)) name = Py_NewRef(digestmod);
    else {
        name = Py_XNewRef(PyDict_GetItemWithError(state->constructors, digestmod));
        if (!name) {
            PyErr_Clear();
            return PyErr_Format(state->unsupported, "Unsupported digestmod %R", digestmod), NULL;
        }
    }
    const char *text = PyUnicode_AsUTF8(name);
    EVP_MD *md = text ? find_by_name(state, text, true) : NULL;
    Py_DECREF(name);
    return md;
}

/* A str argument without NUL. */
static const char *text_argument(PyObject *o, const char *function, const char *name)
{
    Py_ssize_t n;
    if (!PyUnicode_Check(o)) {
        PyErr_Format(PyExc_TypeError, "%s() argument '%s' must be str, not %.50s", function, name, o == Py_None ? "None" : Py_TYPE(o)->tp_name);
        return NULL;
    }
    const char *text = PyUnicode_AsUTF8AndSize(o, &n);
    if (text && strlen(text) != (size_t)n) {
        PyErr_SetString(PyExc_ValueError, "embedded null character");
        return NULL;
    }
    return text;
}

/* ---- HASH ---------------------------------------------------------------------------------------------------------------- */

static Hash *hash_new(PyTypeObject *type)
{
    Hash *h = PyObject_New(Hash, type);
    if (!h) return NULL;
    h->mutex = (PyMutex){ 0 };
    h->context = EVP_MD_CTX_new();
    if (h->context) return h;
    Py_DECREF(h);
    PyErr_NoMemory();
    return NULL;
}

static void hash_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    EVP_MD_CTX_free(HASH(self)->context);
    PyObject_Free(self);
    Py_DECREF(type);
}

/* The library counts in ints at places: pieces. */
static int feed(EVP_MD_CTX *context, const unsigned char *data, Py_ssize_t n)
{
    while (n > 0) {
        size_t piece = n > INT_MAX ? INT_MAX : (size_t)n;
        if (!EVP_DigestUpdate(context, data, piece)) return 0;
        data += piece;
        n -= (Py_ssize_t)piece;
    }
    return 1;
}

static int hash_feed(Hash *h, PyObject *data)
{
    Py_buffer view;
    int done;
    if (hash_get_buffer(data, &view) < 0) return -1;
    PyMutex_Lock(&h->mutex);
    if (view.len >= RELEASE_GIL_FROM) {
        Py_BEGIN_ALLOW_THREADS
        done = feed(h->context, view.buf, view.len);
        Py_END_ALLOW_THREADS
    }
    else done = feed(h->context, view.buf, view.len);
    PyMutex_Unlock(&h->mutex);
    PyBuffer_Release(&view);
    if (!done) raise_openssl(PyExc_ValueError, NULL);
    return done ? 0 : -1;
}

/* A copy of the context, which finishing destroys. */
static EVP_MD_CTX *hash_snapshot(Hash *h)
{
    EVP_MD_CTX *copy = EVP_MD_CTX_new();
    if (!copy) {
        PyErr_NoMemory();
        return NULL;
    }
    PyMutex_Lock(&h->mutex);
    int done = EVP_MD_CTX_copy_ex(copy, h->context);
    PyMutex_Unlock(&h->mutex);
    if (done) return copy;
    EVP_MD_CTX_free(copy);
    return raise_openssl(PyExc_ValueError, NULL);
}

BUILTIN_NOARGS(hash, copy, "($self, /)", "Return a copy of the hash object.")
{
    EVP_MD_CTX *context = hash_snapshot(HASH(self));
    if (!context) return NULL;
    Hash *h = PyObject_New(Hash, Py_TYPE(self));
    if (!h) {
        EVP_MD_CTX_free(context);
        return NULL;
    }
    h->mutex = (PyMutex){ 0 };
    h->context = context;
    return (PyObject *)h;
}

BUILTIN_O(hash, update, "($self, obj, /)", "Update this hash object's state with the provided string.")
{
    if (hash_feed(HASH(self), arg) < 0) return NULL;
    Py_RETURN_NONE;
}

/* The digest; its size, or -1. */
static Py_ssize_t hash_finish(Hash *h, unsigned char digest[EVP_MAX_MD_SIZE])
{
    EVP_MD_CTX *context = hash_snapshot(h);
    if (!context) return -1;
    unsigned n = 0;
    int done = EVP_DigestFinal_ex(context, digest, &n);
    EVP_MD_CTX_free(context);
    if (done) return n;
    raise_openssl(PyExc_ValueError, NULL);
    return -1;
}

BUILTIN_NOARGS(hash, digest, "($self, /)", "Return the digest value as a bytes object.")
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    Py_ssize_t n = hash_finish(HASH(self), digest);
    return n < 0 ? NULL : PyBytes_FromStringAndSize((char *)digest, n);
}

BUILTIN_NOARGS(hash, hexdigest, "($self, /)", "Return the digest value as a string of hexadecimal digits.")
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    Py_ssize_t n = hash_finish(HASH(self), digest);
    return n < 0 ? NULL : hash_hex_text(digest, n);
}

static int xof_finish(Hash *h, unsigned char *digest, Py_ssize_t n)
{
    if (n == 0) return 0;
    EVP_MD_CTX *context = hash_snapshot(h);
    if (!context) return -1;
    int done = EVP_DigestFinalXOF(context, digest, (size_t)n);
    EVP_MD_CTX_free(context);
    if (!done) raise_openssl(PyExc_ValueError, NULL);
    return done ? 0 : -1;
}

BUILTIN(xof, digest, KEYWORDS, "($self, /, length)", "Return the digest value as a bytes object.")
{
    Py_ssize_t n;
    if (size_argument(arg[0], -1, &n) < 0) return NULL;
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, n);
    if (bytes && xof_finish(HASH(self), (unsigned char *)PyBytes_AS_STRING(bytes), n) < 0) Py_CLEAR(bytes);
    return bytes;
}

BUILTIN(xof, hexdigest, KEYWORDS, "($self, /, length)", "Return the digest value as a string of hexadecimal digits.")
{
    Py_ssize_t n;
    if (size_argument(arg[0], -1, &n) < 0) return NULL;
    unsigned char *digest = PyMem_Malloc((size_t)n);
    if (!digest) return PyErr_NoMemory();
    PyObject *text = xof_finish(HASH(self), digest, n) < 0 ? NULL : hash_hex_text(digest, n);
    PyMem_Free(digest);
    return text;
}

static PyObject *hash_get_name(PyObject *self, void *closure) { return PyUnicode_FromString(name_of(EVP_MD_CTX_md(HASH(self)->context))); }
static PyObject *hash_get_block_size(PyObject *self, void *closure) { return PyLong_FromLong(EVP_MD_CTX_block_size(HASH(self)->context)); }
static PyObject *hash_get_digest_size(PyObject *self, void *closure) { return PyLong_FromLong(EVP_MD_CTX_size(HASH(self)->context)); }
static PyObject *xof_get_digest_size(PyObject *self, void *closure) { return PyLong_FromLong(0); }

static PyObject *hash_repr(PyObject *self)
{
    return PyUnicode_FromFormat("<%s %s object @ %p>", name_of(EVP_MD_CTX_md(HASH(self)->context)), Py_TYPE(self)->tp_name, self);
}

static PyMethodDef hash_methods[] = { METHOD(hash, update), METHOD(hash, digest), METHOD(hash, hexdigest), METHOD(hash, copy), { 0 } };
static PyGetSetDef hash_getset[] = {
    { "digest_size", hash_get_digest_size, NULL, NULL, NULL }, { "block_size", hash_get_block_size, NULL, NULL, NULL },
    { "name", hash_get_name, NULL, "algorithm name.", NULL }, { 0 }
};
static PyType_Slot hash_slots[] = {
    { Py_tp_dealloc, hash_dealloc }, { Py_tp_repr, hash_repr }, { Py_tp_methods, hash_methods }, { Py_tp_getset, hash_getset },
    { Py_tp_doc, (char *)"HASH(name, string=b'')\n--\n\nThe state of computing a checksum: update(), digest(), hexdigest(), copy(), name, digest_size." }, { 0, NULL }
};
static PyType_Spec hash_spec = {
    "_hashlib.HASH", sizeof(Hash), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE, hash_slots
};

static PyMethodDef xof_methods[] = { METHOD(xof, digest), METHOD(xof, hexdigest), { 0 } };
static PyGetSetDef xof_getset[] = { { "digest_size", xof_get_digest_size, NULL, NULL, NULL }, { 0 } };
static PyType_Slot xof_slots[] = {
    { Py_tp_methods, xof_methods }, { Py_tp_getset, xof_getset },
    { Py_tp_doc, (char *)"HASHXOF(name, string=b'')\n--\n\nA HASH whose digests have the length asked for." }, { 0, NULL }
};
static PyType_Spec xof_spec = {
    "_hashlib.HASHXOF", sizeof(Hash), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE, xof_slots
};

/* data: NULL or what is hashed at once; string: its old name. */
static PyObject *construct(PyObject *module, const char *name, PyObject *data, PyObject *security, PyObject *string)
{
    HashState *state = PyModule_GetState(module);
    int for_security = security ? PyObject_IsTrue(security) : 1;
    if (for_security < 0) return NULL;
    if (data && string) {
        PyErr_SetString(PyExc_TypeError, "'data' and 'string' are mutually exclusive and support for 'string' keyword parameter is slated for "
                        "removal in a future version.");
        return NULL;
    }
    if (string) data = string;
    Py_buffer view;                           /* what cannot be hashed is said before what the hash is */
    if (data) {
        if (hash_get_buffer(data, &view) < 0) return NULL;
        PyBuffer_Release(&view);
    }
    EVP_MD *md = find_by_name(state, name, for_security);
    if (!md) return NULL;
    Hash *h = hash_new(EVP_MD_flags(md) & EVP_MD_FLAG_XOF ? state->xof_type : state->hash_type);
    if (h) {
        if (!for_security) EVP_MD_CTX_set_flags(h->context, EVP_MD_CTX_FLAG_NON_FIPS_ALLOW);
        if (!EVP_DigestInit_ex(h->context, md, NULL)) {
            raise_openssl(PyExc_ValueError, NULL);
            Py_CLEAR(h);
        }
        else if (data && hash_feed(h, data) < 0) Py_CLEAR(h);
    }
    EVP_MD_free(md);
    return (PyObject *)h;
}

BUILTIN(hashlib, new, KEYWORDS, "($module, /, name, data=b'', *, usedforsecurity=True, string=None)",
        "Return a new hash object using the named algorithm.\n\nWhat data is given is hashed at once. MD5 and SHA1 are always supported.")
{
    const char *name = text_argument(arg[0], "new", "name");
    return name ? construct(self, name, arg[1], arg[2], arg[3]) : NULL;
}

#define CONSTRUCTOR(hash_name)                                                                                                \
    BUILTIN(hashlib, openssl_##hash_name, KEYWORDS, "($module, /, data=b'', *, usedforsecurity=True, string=None)",           \
            "Returns a " #hash_name " hash object; optionally initialized with a string")                                     \
    {                                                                                                                         \
        return construct(self, #hash_name, arg[0], arg[1], arg[2]);                                                           \
    }
CONSTRUCTOR(md5)
CONSTRUCTOR(sha1)
CONSTRUCTOR(sha224)
CONSTRUCTOR(sha256)
CONSTRUCTOR(sha384)
CONSTRUCTOR(sha512)
CONSTRUCTOR(sha3_224)
CONSTRUCTOR(sha3_256)
CONSTRUCTOR(sha3_384)
CONSTRUCTOR(sha3_512)
CONSTRUCTOR(shake_128)
CONSTRUCTOR(shake_256)

/* ---- keys from passwords --------------------------------------------------------------------------------------------------- */

static int int_overflow(const char *text)
{
    PyErr_SetString(PyExc_OverflowError, text);
    return -1;
}

static PyObject *pbkdf2(EVP_MD *md, const Py_buffer *password, const Py_buffer *salt, long iterations, PyObject *length)
{
    long n;
    if (password->len > INT_MAX) return int_overflow("password is too long."), NULL;
    if (salt->len > INT_MAX) return int_overflow("salt is too long."), NULL;
    if (iterations < 1) return PyErr_Format(PyExc_ValueError, "iteration value must be greater than 0.");
    if (iterations > INT_MAX) return int_overflow("iteration value is too great."), NULL;
    if (!length || length == Py_None) n = EVP_MD_size(md);
    else if ((n = PyLong_AsLong(length)) == -1 && PyErr_Occurred()) return NULL;
    if (n < 1) return PyErr_Format(PyExc_ValueError, "key length must be greater than 0.");
    if (n > INT_MAX) return int_overflow("key length is too great."), NULL;
    PyObject *key = PyBytes_FromStringAndSize(NULL, n);
    if (!key) return NULL;
    int done;
    Py_BEGIN_ALLOW_THREADS
    done = PKCS5_PBKDF2_HMAC(password->buf, (int)password->len, salt->buf, (int)salt->len, (int)iterations, md, (int)n,
                             (unsigned char *)PyBytes_AS_STRING(key));
    Py_END_ALLOW_THREADS
    if (done) return key;
    Py_DECREF(key);
    return raise_openssl(PyExc_ValueError, NULL);
}

BUILTIN(hashlib, pbkdf2_hmac, KEYWORDS, "($module, /, hash_name, password, salt, iterations,\n            dklen=None)",
        "Password based key derivation function 2 (PKCS #5 v2.0) with HMAC as pseudorandom function.")
{
    Py_buffer password, salt;
    PyObject *key = NULL;
    const char *name = text_argument(arg[0], "pbkdf2_hmac", "hash_name");
    if (!name || PyObject_GetBuffer(arg[1], &password, PyBUF_SIMPLE) < 0) return NULL;
    if (PyObject_GetBuffer(arg[2], &salt, PyBUF_SIMPLE) == 0) {
        long iterations = PyLong_AsLong(arg[3]);
        EVP_MD *md = iterations == -1 && PyErr_Occurred() ? NULL : find_by_name(PyModule_GetState(self), name, true);
        if (md) key = pbkdf2(md, &password, &salt, iterations, arg[4]);
        EVP_MD_free(md);
        PyBuffer_Release(&salt);
    }
    PyBuffer_Release(&password);
    return key;
}

/* n, r or p of scrypt. */
static int cost_argument(PyObject *o, const char *name, unsigned long *value)
{
    if (o && !PyLong_Check(o)) {
        PyErr_Format(PyExc_TypeError, "scrypt() argument '%s' must be int, not %.50s", name, o == Py_None ? "None" : Py_TYPE(o)->tp_name);
        return -1;
    }
    *value = o ? PyLong_AsUnsignedLong(o) : 0;
    if (o && !PyErr_Occurred()) return 0;
    PyErr_Format(PyExc_TypeError, "%s is required and must be an unsigned int", name);
    return -1;
}

static int check_int_type(PyObject *o, const char *name)
{
    if (!o || PyLong_Check(o)) return 0;
    PyErr_Format(PyExc_TypeError, "scrypt() argument '%s' must be int, not %.50s", name, o == Py_None ? "None" : Py_TYPE(o)->tp_name);
    return -1;
}

static PyObject *scrypt(const Py_buffer *password, const Py_buffer *salt, PyObject *const *arg, long maxmem, long length)
{
    unsigned long n, r, p;
    if (password->len > INT_MAX) return int_overflow("password is too long."), NULL;
    if (!salt->buf) return PyErr_Format(PyExc_TypeError, "salt is required");
    if (salt->len > INT_MAX) return int_overflow("salt is too long."), NULL;
    if (cost_argument(arg[2], "n", &n) < 0) return NULL;
    if (n < 2 || n & (n - 1)) return PyErr_Format(PyExc_ValueError, "n must be a power of 2.");
    if (cost_argument(arg[3], "r", &r) < 0 || cost_argument(arg[4], "p", &p) < 0) return NULL;
    /* OpenSSL takes more, but in practice cannot use it */
    if (maxmem < 0 || maxmem > INT_MAX) return PyErr_Format(PyExc_ValueError, "maxmem must be positive and smaller than %d", INT_MAX);
    if (length < 1 || length > INT_MAX) return PyErr_Format(PyExc_ValueError, "dklen must be greater than 0 and smaller than %d", INT_MAX);
    if (!EVP_PBE_scrypt(NULL, 0, NULL, 0, n, r, p, (uint64_t)maxmem, NULL, 0))
        return raise_openssl(PyExc_ValueError, "Invalid parameter combination for n, r, p, maxmem.");
    PyObject *key = PyBytes_FromStringAndSize(NULL, length);
    if (!key) return NULL;
    int done;
    Py_BEGIN_ALLOW_THREADS
    done = EVP_PBE_scrypt(password->buf, (size_t)password->len, salt->buf, (size_t)salt->len, n, r, p, (uint64_t)maxmem,
                          (unsigned char *)PyBytes_AS_STRING(key), (size_t)length);
    Py_END_ALLOW_THREADS
    if (done) return key;
    Py_DECREF(key);
    return raise_openssl(PyExc_ValueError, NULL);
}

BUILTIN(hashlib, scrypt, KEYWORDS, "($module, /, password, *, salt=None, n=None, r=None, p=None,\n       maxmem=0, dklen=64)",
        "scrypt password-based key derivation function.")
{
    Py_buffer password, salt = { 0 };
    PyObject *key = NULL;
    static const char nothing[1] = "";
    if (PyObject_GetBuffer(arg[0], &password, PyBUF_SIMPLE) < 0) return NULL;
    if (!arg[1] || arg[1] == Py_None || PyObject_GetBuffer(arg[1], &salt, PyBUF_SIMPLE) == 0) {
        if (arg[1] && arg[1] != Py_None && !salt.buf) salt.buf = (void *)(uintptr_t)nothing;      /* empty, but given */
        long maxmem = 0, length = 64;
        if (check_int_type(arg[2], "n") == 0 && check_int_type(arg[3], "r") == 0 && check_int_type(arg[4], "p") == 0 &&
            (!arg[5] || (maxmem = PyLong_AsLong(arg[5])) != -1 || !PyErr_Occurred()) && (!arg[6] || (length = PyLong_AsLong(arg[6])) != -1 || !PyErr_Occurred()))
            key = scrypt(&password, &salt, arg, maxmem, length);
        if (salt.obj) PyBuffer_Release(&salt);
    }
    PyBuffer_Release(&password);
    return key;
}

/* ---- HMAC ---------------------------------------------------------------------------------------------------------------- */

BUILTIN(hashlib, hmac_digest, KEYWORDS, "($module, /, key, msg, digest)", "Single-shot HMAC.")
{
    Py_buffer key, message;
    PyObject *result = NULL;
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    if (PyObject_GetBuffer(arg[0], &key, PyBUF_SIMPLE) < 0) return NULL;
    if (PyObject_GetBuffer(arg[1], &message, PyBUF_SIMPLE) == 0) {
        EVP_MD *md = find_by_digestmod(PyModule_GetState(self), arg[2]);
        if (md && key.len > INT_MAX) int_overflow("key is too long.");
        else if (md && message.len > INT_MAX) int_overflow("msg is too long.");
        else if (md) {
            unsigned char *done;
            Py_BEGIN_ALLOW_THREADS
            done = HMAC(md, key.buf, (int)key.len, message.buf, (size_t)message.len, digest, &n);
            Py_END_ALLOW_THREADS
            if (done) result = PyBytes_FromStringAndSize((char *)digest, n);
            else raise_openssl(PyExc_ValueError, NULL);
        }
        EVP_MD_free(md);
        PyBuffer_Release(&message);
    }
    PyBuffer_Release(&key);
    return result;
}

static int hmac_feed(Hmac *h, PyObject *data)
{
    Py_buffer view;
    int done;
    if (hash_get_buffer(data, &view) < 0) return -1;
    PyMutex_Lock(&h->mutex);
    if (view.len >= RELEASE_GIL_FROM) {
        Py_BEGIN_ALLOW_THREADS
        done = HMAC_Update(h->context, view.buf, (size_t)view.len);
        Py_END_ALLOW_THREADS
    }
    else done = HMAC_Update(h->context, view.buf, (size_t)view.len);
    PyMutex_Unlock(&h->mutex);
    PyBuffer_Release(&view);
    if (!done) raise_openssl(PyExc_ValueError, NULL);
    return done ? 0 : -1;
}

/* context STOLEN. */
static PyObject *hmac_wrap(PyTypeObject *type, HMAC_CTX *context)
{
    Hmac *h = context ? PyObject_New(Hmac, type) : NULL;
    if (h) {
        h->mutex = (PyMutex){ 0 };
        h->context = context;
    }
    else HMAC_CTX_free(context);
    return (PyObject *)h;
}

BUILTIN(hashlib, hmac_new, KEYWORDS, "($module, /, key, msg=b'', digestmod=None)", "Return a new hmac object.")
{
    HashState *state = PyModule_GetState(self);
    Py_buffer key;
    PyObject *result = NULL;
    HMAC_CTX *context = NULL;
    if (PyObject_GetBuffer(arg[0], &key, PyBUF_SIMPLE) < 0) return NULL;
    EVP_MD *md = NULL;
    if (key.len > INT_MAX) int_overflow("key is too long.");
    else if (!arg[2]) PyErr_SetString(PyExc_TypeError, "Missing required parameter 'digestmod'.");
    else md = find_by_digestmod(state, arg[2]);
    if (md) {
        if (!(context = HMAC_CTX_new())) PyErr_NoMemory();
        else if (!HMAC_Init_ex(context, key.buf ? key.buf : "", (int)key.len, md, NULL)) {
            raise_openssl(PyExc_ValueError, NULL);
            HMAC_CTX_free(context);
        }
        else result = hmac_wrap(state->hmac_type, context);
        EVP_MD_free(md);
    }
    PyBuffer_Release(&key);
    if (result && arg[1] && arg[1] != Py_None && hmac_feed(HMAC_OBJECT(result), arg[1]) < 0) Py_CLEAR(result);
    return result;
}

static HMAC_CTX *hmac_snapshot(Hmac *h)
{
    HMAC_CTX *copy = HMAC_CTX_new();
    if (!copy) {
        PyErr_NoMemory();
        return NULL;
    }
    PyMutex_Lock(&h->mutex);
    int done = HMAC_CTX_copy(copy, h->context);
    PyMutex_Unlock(&h->mutex);
    if (done) return copy;
    HMAC_CTX_free(copy);
    return raise_openssl(PyExc_ValueError, NULL);
}

BUILTIN_NOARGS(hmac, copy, "($self, /)", "Return a copy (\"clone\") of the HMAC object.") { return hmac_wrap(Py_TYPE(self), hmac_snapshot(HMAC_OBJECT(self))); }

BUILTIN(hmac, update, KEYWORDS, "($self, /, msg)", "Update the HMAC object with msg.")
{
    if (hmac_feed(HMAC_OBJECT(self), arg[0]) < 0) return NULL;
    Py_RETURN_NONE;
}

static Py_ssize_t hmac_finish(Hmac *h, unsigned char digest[EVP_MAX_MD_SIZE])
{
    HMAC_CTX *context = hmac_snapshot(h);
    if (!context) return -1;
    unsigned n = 0;
    int done = HMAC_Final(context, digest, &n);
    HMAC_CTX_free(context);
    if (done) return n;
    raise_openssl(PyExc_ValueError, NULL);
    return -1;
}

BUILTIN_NOARGS(hmac, digest, "($self, /)", "Return the digest of the bytes passed to the update() method so far.")
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    Py_ssize_t n = hmac_finish(HMAC_OBJECT(self), digest);
    return n < 0 ? NULL : PyBytes_FromStringAndSize((char *)digest, n);
}

BUILTIN_NOARGS(hmac, hexdigest, "($self, /)",
               "Return hexadecimal digest of the bytes passed to the update() method so far.\n\nIt may be used where only text passes.")
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    Py_ssize_t n = hmac_finish(HMAC_OBJECT(self), digest);
    return n < 0 ? NULL : hash_hex_text(digest, n);
}

static const EVP_MD *hmac_md(PyObject *self) { return HMAC_CTX_get_md(HMAC_OBJECT(self)->context); }
static PyObject *hmac_get_digest_size(PyObject *self, void *closure) { return PyLong_FromLong(EVP_MD_size(hmac_md(self))); }
static PyObject *hmac_get_block_size(PyObject *self, void *closure) { return PyLong_FromLong(EVP_MD_block_size(hmac_md(self))); }
static PyObject *hmac_get_name(PyObject *self, void *closure) { return PyUnicode_FromFormat("hmac-%s", name_of(hmac_md(self))); }
static PyObject *hmac_repr(PyObject *self) { return PyUnicode_FromFormat("<%s HMAC object @ %p>", name_of(hmac_md(self)), self); }

static void hmac_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    HMAC_CTX_free(HMAC_OBJECT(self)->context);
    PyObject_Free(self);
    Py_DECREF(type);
}

static PyMethodDef hmac_methods[] = { METHOD(hmac, update), METHOD(hmac, digest), METHOD(hmac, hexdigest), METHOD(hmac, copy), { 0 } };
static PyGetSetDef hmac_getset[] = {
    { "digest_size", hmac_get_digest_size, NULL, NULL, NULL }, { "block_size", hmac_get_block_size, NULL, NULL, NULL },
    { "name", hmac_get_name, NULL, NULL, NULL }, { 0 }
};
static PyType_Slot hmac_slots[] = {
    { Py_tp_dealloc, hmac_dealloc }, { Py_tp_repr, hmac_repr }, { Py_tp_methods, hmac_methods }, { Py_tp_getset, hmac_getset },
    { Py_tp_doc, (char *)"The state of computing the HMAC of a message: update(), digest(), hexdigest(), copy(), name, digest_size." }, { 0, NULL }
};
static PyType_Spec hmac_spec = { "_hashlib.HMAC", sizeof(Hmac), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE, hmac_slots };

/* ---- other functions ----------------------------------------------------------------------------------------------------- */

BUILTIN_NOARGS(hashlib, get_fips_mode, "($module, /)",
               "Determine the OpenSSL FIPS mode of operation: that of the default provider. Non-zero means that it is on.")
{
    ERR_clear_error();
    return PyLong_FromLong(EVP_default_properties_is_fips_enabled(NULL));
}

/* Takes as long for equal bytes as for different ones; a different length leaks. */
static int bytes_equal(const unsigned char *a, Py_ssize_t n, const unsigned char *b, Py_ssize_t m)
{
    volatile Py_ssize_t length = m;
    volatile const unsigned char *right = b, *left = n == length ? a : b;
    volatile unsigned char different = n == length ? 0 : 1;
    for (Py_ssize_t i = 0; i < length; i++) different |= *left++ ^ *right++;
    return different == 0;
}

BUILTIN(hashlib, compare_digest, POSITIONAL, "($module, a, b, /)",
        "Return 'a == b'.\n\n"
        "The time that takes does not tell what the contents are, which makes it fit for cryptography. a and b\n"
        "must both be of the same type: either str (ASCII only), or any bytes-like object.\n\n"
        "Different lengths, or an error, may show in the time.")
{
    Py_buffer a, b;
    int equal;
    if (PyUnicode_Check(arg[0]) && PyUnicode_Check(arg[1])) {
        if (!PyUnicode_IS_ASCII(arg[0]) || !PyUnicode_IS_ASCII(arg[1]))
            return PyErr_Format(PyExc_TypeError, "comparing strings with non-ASCII characters is not supported");
        return PyBool_FromLong(bytes_equal(PyUnicode_DATA(arg[0]), PyUnicode_GET_LENGTH(arg[0]), PyUnicode_DATA(arg[1]), PyUnicode_GET_LENGTH(arg[1])));
    }
    if (!PyObject_CheckBuffer(arg[0]) && !PyObject_CheckBuffer(arg[1]))
        return PyErr_Format(PyExc_TypeError, "unsupported operand types(s) or combination of types: '%.100s' and '%.100s'",
                            Py_TYPE(arg[0])->tp_name, Py_TYPE(arg[1])->tp_name);
    if (PyObject_GetBuffer(arg[0], &a, PyBUF_SIMPLE) < 0) return NULL;
    if (PyObject_GetBuffer(arg[1], &b, PyBUF_SIMPLE) < 0) {
        PyBuffer_Release(&a);
        return NULL;
    }
    if (a.ndim > 1 || b.ndim > 1) {
        PyErr_SetString(PyExc_BufferError, "Buffer must be single dimension");
        equal = -1;
    }
    else equal = bytes_equal(a.buf, a.len, b.buf, b.len);
    PyBuffer_Release(&a);
    PyBuffer_Release(&b);
    return equal < 0 ? NULL : PyBool_FromLong(equal);
}

/* ---- module -------------------------------------------------------------------------------------------------------------- */

typedef struct Collected { PyObject *set; bool failed; } Collected;

static void collect_name(EVP_MD *md, void *context)
{
    Collected *c = context;
    if (c->failed || !md || EVP_MD_type(md) == NID_undef) return;
    const char *name = name_of(md);
    PyObject *text = name ? PyUnicode_FromString(name) : NULL;
    if (name && (!text || PySet_Add(c->set, text) < 0)) c->failed = true;
    Py_XDECREF(text);
}

static int add_names(PyObject *module)
{
    Collected c = { PyFrozenSet_New(NULL), false };
    if (!c.set) return -1;
    EVP_MD_do_all_provided(NULL, collect_name, &c);
    int status = c.failed ? -1 : PyModule_AddObjectRef(module, "openssl_md_meth_names", c.set);
    Py_DECREF(c.set);
    return status;
}

static PyMethodDef hashlib_methods[] = {
    METHOD(hashlib, new), METHOD(hashlib, pbkdf2_hmac), METHOD(hashlib, scrypt), METHOD(hashlib, get_fips_mode), METHOD(hashlib, compare_digest),
    METHOD(hashlib, hmac_new), METHOD(hashlib, hmac_digest), METHOD(hashlib, openssl_md5), METHOD(hashlib, openssl_sha1),
    METHOD(hashlib, openssl_sha224), METHOD(hashlib, openssl_sha256), METHOD(hashlib, openssl_sha384), METHOD(hashlib, openssl_sha512),
    METHOD(hashlib, openssl_sha3_224), METHOD(hashlib, openssl_sha3_256), METHOD(hashlib, openssl_sha3_384), METHOD(hashlib, openssl_sha3_512),
    METHOD(hashlib, openssl_shake_128), METHOD(hashlib, openssl_shake_256), { 0 },
};

/* The functions openssl_*, which stand for their hash where a digestmod is asked for. */
static int add_constructors(PyObject *module, HashState *state)
{
    static const char prefix[] = "openssl_";
    if (!(state->constructors = PyDict_New())) return -1;
    for (const PyMethodDef *m = hashlib_methods; m->ml_name; m++) {
        if (strncmp(m->ml_name, prefix, sizeof prefix - 1) != 0) continue;
        PyObject *function = PyObject_GetAttrString(module, m->ml_name), *name = PyUnicode_FromString(m->ml_name + sizeof prefix - 1);
        int status = function && name ? PyDict_SetItem(state->constructors, function, name) : -1;
        Py_XDECREF(function);
        Py_XDECREF(name);
        if (status < 0) return -1;
    }
    return PyModule_Add(module, "_constructors", PyDictProxy_New(state->constructors));
}

static int add_type(PyObject *module, PyType_Spec *spec, PyObject *base, PyTypeObject **place)
{
    *place = (PyTypeObject *)PyType_FromModuleAndSpec(module, spec, base);
    return *place ? PyModule_AddType(module, *place) : -1;
}

static int hashlib_exec(PyObject *module)
{
    HashState *state = PyModule_GetState(module);
    if (add_type(module, &hash_spec, NULL, &state->hash_type) < 0 || add_type(module, &xof_spec, (PyObject *)state->hash_type, &state->xof_type) < 0 ||
        add_type(module, &hmac_spec, NULL, &state->hmac_type) < 0 || add_names(module) < 0 || add_constructors(module, state) < 0) return -1;
    state->unsupported = PyErr_NewException("_hashlib.UnsupportedDigestmodError", PyExc_ValueError, NULL);
    return state->unsupported ? PyModule_AddObjectRef(module, "UnsupportedDigestmodError", state->unsupported) : -1;
}

static int hashlib_traverse(PyObject *module, visitproc visit, void *arg)
{
    HashState *state = PyModule_GetState(module);
    Py_VISIT(state->hash_type);
    Py_VISIT(state->xof_type);
    Py_VISIT(state->hmac_type);
    Py_VISIT(state->constructors);
    Py_VISIT(state->unsupported);
    return 0;
}

static int hashlib_clear(PyObject *module)
{
    HashState *state = PyModule_GetState(module);
    Py_CLEAR(state->hash_type);
    Py_CLEAR(state->xof_type);
    Py_CLEAR(state->hmac_type);
    Py_CLEAR(state->constructors);
    Py_CLEAR(state->unsupported);
    return 0;
}

static void hashlib_free(void *module) { hashlib_clear(module); }

static PyModuleDef_Slot hashlib_slots[] = {
    { Py_mod_exec, hashlib_exec }, { Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED }, { 0, NULL }
};
static PyModuleDef hashlib_module = {
    PyModuleDef_HEAD_INIT, "_hashlib", "OpenSSL's part of hashlib and hmac.", sizeof(HashState), hashlib_methods, hashlib_slots,
    hashlib_traverse, hashlib_clear, hashlib_free,
};

PyMODINIT_FUNC PyInit__hashlib(void) { return PyModuleDef_Init(&hashlib_module); }
