/* Loading into a context: certificates and keys, authorities, Diffie-Hellman parameters. Files are read without the GIL and
 * under the context's lock, which making a connection takes, too. */
#include "ssl_private.h"

#include <limits.h>

/* ---- passwords ----------------------------------------------------------------------------------------------------------- */

typedef struct Password {
    PyThreadState *thread;                    /* while the library is called */
    PyObject *callable;                       /* borrowed; NULL: the text is given */
    char *text;
    int size;
    bool failed;                              /* an exception waits */
} Password;

/* The bytes of a str, bytes or bytearray. 0, or -1 with an exception. */
static int password_set(Password *p, PyObject *value, const char *wrong_type)
{
    const char *text;
    Py_ssize_t n;
    if (PyUnicode_Check(value)) {
        if (!(text = PyUnicode_AsUTF8AndSize(value, &n))) return -1;
    }
    else if (PyBytes_Check(value)) {
        text = PyBytes_AS_STRING(value);
        n = PyBytes_GET_SIZE(value);
    }
    else if (PyByteArray_Check(value)) {
        text = PyByteArray_AS_STRING(value);
        n = PyByteArray_GET_SIZE(value);
    }
    else return PyErr_SetString(PyExc_TypeError, wrong_type), -1;
    if (n > INT_MAX) return PyErr_Format(PyExc_ValueError, "password cannot be longer than %d bytes", INT_MAX), -1;
    char *copy = PyMem_Malloc((size_t)n + 1);
    if (!copy) return PyErr_NoMemory(), -1;
    memcpy(copy, text, (size_t)n);
    PyMem_Free(p->text);
    p->text = copy;
    p->size = (int)n;
    return 0;
}

static int password_callback(char *buffer, int size, int Py_UNUSED(writing), void *data)
{
    Password *p = data;
    int n = -1;
    PyEval_RestoreThread(p->thread);
    if (PyErr_Occurred()) goto done;          /* asked again after it failed */
    if (p->callable) {
        PyObject *value = PyObject_CallNoArgs(p->callable);
        int status = value ? password_set(p, value, "password callback must return a string") : -1;
        Py_XDECREF(value);
        if (status < 0) goto done;
    }
    if (p->size > size) PyErr_Format(PyExc_ValueError, "password cannot be longer than %d bytes", size);
    else {
        memcpy(buffer, p->text, (size_t)p->size);
        n = p->size;
    }
done:
    if (n < 0) p->failed = true;
    p->thread = PyEval_SaveThread();
    return n;
}

/* ---- certificate and key ------------------------------------------------------------------------------------------------- */

enum { LOAD_CERTIFICATE, LOAD_KEY, LOAD_CHECK };

/* One step of loading, without the GIL. 0, or -1 with an exception. */
static int load_step(Context *c, int step, const char *path, Password *p, int line)
{
    int done = 0;
    p->thread = PyEval_SaveThread();
    errno = 0;
    if (step == LOAD_CERTIFICATE) done = SSL_CTX_use_certificate_chain_file(c->ctx, path);
    else if (step == LOAD_KEY) done = SSL_CTX_use_PrivateKey_file(c->ctx, path, SSL_FILETYPE_PEM);
    else done = SSL_CTX_check_private_key(c->ctx);
    int error = step == LOAD_CHECK ? 0 : errno;
    PyEval_RestoreThread(p->thread);
    if (p->failed) {
        ERR_clear_error();
        return -1;
    }
    if (done == 1) return 0;
    raise_file_error(c->state, error, NULL, line);
    return -1;
}

/* The bytes of a path. 0, or -1 with a TypeError that names the argument. */
static int path_argument(PyObject *value, PyObject **bytes, const char *name)
{
    *bytes = NULL;
    if (!value || value == Py_None || PyUnicode_FSConverter(value, bytes)) return 0;
    if (PyErr_ExceptionMatches(PyExc_TypeError)) PyErr_Format(PyExc_TypeError, "%s should be a valid filesystem path", name);
    return -1;
}

PyObject *context_load_chain(Context *c, PyObject *certificate, PyObject *key, PyObject *password)
{
    PyObject *certificate_path = NULL, *key_path = NULL;
    Password p = { 0 };
    int status = -1;
    ERR_clear_error();
    if (certificate == Py_None) return PyErr_SetString(PyExc_TypeError, "certfile should be a valid filesystem path"), NULL;
    if (path_argument(certificate, &certificate_path, "certfile") < 0 || path_argument(key, &key_path, "keyfile") < 0) goto done;
    bool given = password && password != Py_None;
    if (given && PyCallable_Check(password)) p.callable = password;
    else if (given && password_set(&p, password, "password should be a string or callable") < 0) goto done;
    bool taken = lock_take(&c->lock);
    pem_password_cb *old = SSL_CTX_get_default_passwd_cb(c->ctx);
    void *old_data = SSL_CTX_get_default_passwd_cb_userdata(c->ctx);
    if (given) {
        SSL_CTX_set_default_passwd_cb(c->ctx, password_callback);
        SSL_CTX_set_default_passwd_cb_userdata(c->ctx, &p);
    }
    const char *path = PyBytes_AS_STRING(certificate_path);
    status = load_step(c, LOAD_CERTIFICATE, path, &p, LINE_CERTIFICATE);
    if (status == 0) status = load_step(c, LOAD_KEY, key_path ? PyBytes_AS_STRING(key_path) : path, &p, LINE_PRIVATE_KEY);
    if (status == 0) status = load_step(c, LOAD_CHECK, NULL, &p, LINE_CHECK_KEY);
    SSL_CTX_set_default_passwd_cb(c->ctx, old);
    SSL_CTX_set_default_passwd_cb_userdata(c->ctx, old_data);
    lock_release(&c->lock, taken);
done:
    PyMem_Free(p.text);
    Py_XDECREF(certificate_path);
    Py_XDECREF(key_path);
    if (status < 0) return NULL;
    Py_RETURN_NONE;
}

/* ---- authorities --------------------------------------------------------------------------------------------------------- */

/* A certificate that is there already is none to complain of. */
static bool store_add(X509_STORE *store, X509 *x509)
{
    if (X509_STORE_add_cert(store, x509)) return true;
    unsigned long code = ERR_peek_last_error();
    if (ERR_GET_LIB(code) != ERR_LIB_X509 || ERR_GET_REASON(code) != X509_R_CERT_ALREADY_IN_HASH_TABLE) return false;
    ERR_clear_error();
    return true;
}

/* Certificates from memory, PEM or DER, until nothing follows. 0, or -1 with an exception. */
static int add_authorities(Context *c, const char *data, Py_ssize_t n, bool pem)
{
    if (n <= 0) return PyErr_SetString(PyExc_ValueError, "Empty certificate data"), -1;
    if (n > INT_MAX) return PyErr_SetString(PyExc_OverflowError, "Certificate data is too long."), -1;
    ERR_clear_error();
    BIO *bio = BIO_new_mem_buf(data, (int)n);
    if (!bio) return raise_last(c->state, LINE_CADATA), -1;
    X509_STORE *store = SSL_CTX_get_cert_store(c->ctx);
    int loaded = 0;
    bool end = false;
    while (!(end = !pem && BIO_eof(bio))) {
        X509 *x509 = pem ? PEM_read_bio_X509(bio, NULL, SSL_CTX_get_default_passwd_cb(c->ctx), SSL_CTX_get_default_passwd_cb_userdata(c->ctx))
                         : d2i_X509_bio(bio, NULL);
        if (!x509) break;
        bool added = store_add(store, x509);
        X509_free(x509);
        if (!added) break;
        loaded++;
    }
    BIO_free(bio);
    unsigned long code = ERR_peek_last_error();
    if (!loaded) {
        raise_text(c->state, pem ? "no start line: cadata does not contain a certificate" : "not enough data: cadata does not contain a certificate",
                   LINE_CADATA_NONE);
        return -1;
    }
    if (!end) end = pem ? ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE
                        : ERR_GET_LIB(code) == ERR_LIB_ASN1 && ERR_GET_REASON(code) == ASN1_R_HEADER_TOO_LONG;
    if (code && !end) return raise_last(c->state, LINE_CADATA), -1;
    ERR_clear_error();
    return 0;
}

static int add_authorities_argument(Context *c, PyObject *data)
{
    static const char wrong[] = "cadata should be an ASCII string or a bytes-like object";
    if (PyUnicode_Check(data)) {
        if (!PyUnicode_IS_ASCII(data)) return PyErr_SetString(PyExc_TypeError, wrong), -1;
        Py_ssize_t n;
        const char *text = PyUnicode_AsUTF8AndSize(data, &n);
        return text ? add_authorities(c, text, n, true) : -1;
    }
    if (!PyObject_CheckBuffer(data)) return PyErr_SetString(PyExc_TypeError, wrong), -1;
    Py_buffer view;
    if (PyObject_GetBuffer(data, &view, PyBUF_SIMPLE) < 0) return -1;
    int status = add_authorities(c, view.buf, view.len, false);
    PyBuffer_Release(&view);
    return status;
}

PyObject *context_load_authorities(Context *c, PyObject *file, PyObject *folder, PyObject *data)
{
    PyObject *file_path = NULL, *folder_path = NULL, *result = NULL;
    if ((!file || file == Py_None) && (!folder || folder == Py_None) && (!data || data == Py_None))
        return PyErr_SetString(PyExc_TypeError, "cafile, capath and cadata cannot be all omitted"), NULL;
    if (path_argument(file, &file_path, "cafile") < 0 || path_argument(folder, &folder_path, "capath") < 0) goto done;
    if (data && data != Py_None && add_authorities_argument(c, data) < 0) goto done;
    if (file_path || folder_path) {
        int loaded, error;
        ERR_clear_error();
        bool taken = lock_take(&c->lock);
        Py_BEGIN_ALLOW_THREADS
        errno = 0;
        loaded = SSL_CTX_load_verify_locations(c->ctx, file_path ? PyBytes_AS_STRING(file_path) : NULL, folder_path ? PyBytes_AS_STRING(folder_path) : NULL);
        error = errno;
        Py_END_ALLOW_THREADS
        lock_release(&c->lock, taken);
        if (loaded != 1) {
            raise_file_error(c->state, error, NULL, LINE_VERIFY_LOCATIONS);
            goto done;
        }
        ERR_clear_error();
    }
    result = Py_NewRef(Py_None);
done:
    Py_XDECREF(file_path);
    Py_XDECREF(folder_path);
    return result;
}

/* The store's objects may change while the GIL is given up: what is wanted is taken out under the store's own lock. */
PyObject *context_store_stats(Context *c)
{
    X509_STORE *store = SSL_CTX_get_cert_store(c->ctx);
    int certificates = 0, lists = 0, authorities = 0;
    X509_STORE_lock(store);
    STACK_OF(X509_OBJECT) *objects = X509_STORE_get0_objects(store);
    for (int i = 0; i < sk_X509_OBJECT_num(objects); i++) {
        X509_OBJECT *object = sk_X509_OBJECT_value(objects, i);
        switch (X509_OBJECT_get_type(object)) {
        case X509_LU_X509:
            certificates++;
            if (X509_check_ca(X509_OBJECT_get0_X509(object))) authorities++;
            break;
        case X509_LU_CRL: lists++; break;
        default: break;
        }
    }
    X509_STORE_unlock(store);
    return Py_BuildValue("{sisisi}", "x509", certificates, "crl", lists, "x509_ca", authorities);
}

PyObject *context_authorities(Context *c, bool binary)
{
    X509_STORE *store = SSL_CTX_get_cert_store(c->ctx);
    STACK_OF(X509) *found = sk_X509_new_null();
    bool complete = found != NULL;
    X509_STORE_lock(store);
    STACK_OF(X509_OBJECT) *objects = X509_STORE_get0_objects(store);
    for (int i = 0; complete && i < sk_X509_OBJECT_num(objects); i++) {
        X509 *x509 = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(objects, i));
        if (!x509 || !X509_check_ca(x509)) continue;
        complete = sk_X509_push(found, x509) > 0;
        if (complete) X509_up_ref(x509);
    }
    X509_STORE_unlock(store);
    PyObject *list = complete ? PyList_New(0) : PyErr_NoMemory();
    for (int i = 0; list && i < sk_X509_num(found); i++) {
        X509 *x509 = sk_X509_value(found, i);
        PyObject *shown = binary ? certificate_der(c->state, x509) : certificate_decode(c->state, x509);
        if (!shown || PyList_Append(list, shown) < 0) Py_CLEAR(list);
        Py_XDECREF(shown);
    }
    sk_X509_pop_free(found, X509_free);
    return list;
}

/* ---- Diffie-Hellman ------------------------------------------------------------------------------------------------------ */

PyObject *context_load_dh(Context *c, PyObject *path)
{
    PyObject *bytes;
    DH *dh = NULL;
    int error = 0;
    if (!PyUnicode_FSConverter(path, &bytes)) return NULL;
    if (PySys_Audit("open", "Osi", path, "rb", 0) < 0) {
        Py_DECREF(bytes);
        return NULL;
    }
    Py_BEGIN_ALLOW_THREADS
    ERR_clear_error();
    errno = 0;
    FILE *file = fopen(PyBytes_AS_STRING(bytes), "rbe");
    if (!file) error = errno;
    else {
        errno = 0;
        dh = PEM_read_DHparams(file, NULL, NULL, NULL);
        error = errno;
        fclose(file);
    }
    Py_END_ALLOW_THREADS
    Py_DECREF(bytes);
    if (!dh) return raise_file_error(c->state, error, path, LINE_DH);
    int set = SSL_CTX_set_tmp_dh(c->ctx, dh);
    DH_free(dh);
    if (!set) return raise_last(c->state, LINE_DH);
    Py_RETURN_NONE;
}
