/* Exceptions of the _ssl module, and how they are made of the library's error queue and of what a call returned. */
#include "ssl_private.h"

typedef struct Reason { int library, number; const char *name; } Reason;

static const Reason reasons[] = {
#define LIBRARY(number, name)
#define REASON(library, number, name) { library, number, name },
#include "ssl_reasons.h"
#undef LIBRARY
#undef REASON
};
static const Reason libraries[] = {
#define LIBRARY(number, name) { number, 0, name },
#define REASON(library, number, name)
#include "ssl_reasons.h"
#undef LIBRARY
#undef REASON
};

static const char *find(const Reason *table, size_t n, int library, int number)
{
    for (size_t i = 0; i < n; i++) if (table[i].library == library && table[i].number == number) return table[i].name;
    return NULL;
}

/* ---- making one ---------------------------------------------------------------------------------------------------------- */

/* "Hostname mismatch, ...", or None. */
static PyObject *verify_message(Connection *c, long code)
{
    if (code == X509_V_ERR_HOSTNAME_MISMATCH && c->hostname)
        return PyUnicode_FromFormat("Hostname mismatch, certificate is not valid for '%S'.", c->hostname);
    if (code == X509_V_ERR_IP_ADDRESS_MISMATCH && c->hostname)
        return PyUnicode_FromFormat("IP address mismatch, certificate is not valid for '%S'.", c->hostname);
    const char *text = X509_verify_cert_error_string(code);
    return text ? PyUnicode_FromString(text) : Py_NewRef(Py_None);
}

static int set_text(PyObject *exception, PyObject *name, const char *text)
{
    PyObject *value = text ? PyUnicode_FromString(text) : Py_NewRef(Py_None);
    int status = value ? PyObject_SetAttr(exception, name, value) : -1;
    Py_XDECREF(value);
    return status;
}

static PyObject *compose(const char *library, const char *reason, const char *text, PyObject *detail, int line)
{
    if (library && reason && detail) return PyUnicode_FromFormat("[%s: %s] %s: %S (_ssl.c:%d)", library, reason, text, detail, line);
    if (library && reason) return PyUnicode_FromFormat("[%s: %s] %s (_ssl.c:%d)", library, reason, text, line);
    if (library) return PyUnicode_FromFormat("[%s] %s (_ssl.c:%d)", library, text, line);
    return PyUnicode_FromFormat("%s (_ssl.c:%d)", text, line);
}

/* c is given where the type is SSLCertVerificationError. */
static void *raise_error(SslState *state, PyObject *type, Connection *c, int number, const char *text, unsigned long code, int line)
{
    PyObject *message = NULL, *exception = NULL, *detail = NULL, *verify_code = NULL, *value = PyLong_FromLong(number);
    int library_code = ERR_GET_LIB(code), reason_code = ERR_GET_REASON(code);
    const char *library = code ? find(libraries, ARRAY_LENGTH(libraries), library_code, 0) : NULL;
    const char *reason = code ? find(reasons, ARRAY_LENGTH(reasons), library_code, reason_code) : NULL;
    if (code && !text) text = ERR_reason_error_string(code);
    if (!text) text = "unknown error";
    if (!value) return NULL;
    if (c) {
        long result = SSL_get_verify_result(c->ssl);
        if (!(detail = verify_message(c, result)) || !(verify_code = PyLong_FromLong(result))) goto done;
    }
    if (!(message = compose(library, reason, text, detail, line))) goto done;
    if (!(exception = PyObject_CallFunctionObjArgs(type, value, message, NULL))) goto done;
    if (set_text(exception, state->reason_name, reason) < 0 || set_text(exception, state->library_name, library) < 0) goto done;
    if (c && (PyObject_SetAttrString(exception, "verify_code", verify_code) < 0 || PyObject_SetAttrString(exception, "verify_message", detail) < 0)) goto done;
    PyErr_SetObject(type, exception);
done:
    Py_DECREF(value);
    Py_XDECREF(message);
    Py_XDECREF(exception);
    Py_XDECREF(detail);
    Py_XDECREF(verify_code);
    ERR_clear_error();
    return NULL;
}

void *raise_last(SslState *state, int line)
{
    unsigned long code = ERR_peek_last_error();
    return raise_error(state, state->error, NULL, ERR_GET_REASON(code), NULL, code, line);
}

void *raise_text(SslState *state, const char *text, int line) { return raise_error(state, state->error, NULL, 0, text, 0, line); }

void *raise_file_error(SslState *state, int error, PyObject *path, int line)
{
    if (!error) return raise_last(state, line);
    ERR_clear_error();
    errno = error;
    return path ? PyErr_SetFromErrnoWithFilenameObject(PyExc_OSError, path) : PyErr_SetFromErrno(PyExc_OSError);
}

static bool is_reason(unsigned long code, int reason) { return ERR_GET_LIB(code) == ERR_LIB_SSL && ERR_GET_REASON(code) == reason; }

/* A call of the system failed below the library. */
static void *raise_system(Connection *c, int error)
{
    ERR_clear_error();
    errno = error;
    if (error == ENOMEM) PyErr_NoMemory();
    else PyErr_SetFromErrno(PyExc_OSError);
    raise_pending(c);
    return NULL;
}

void *raise_outcome(Connection *c, const Outcome *o, int line)
{
    SslState *state = c->context->state;
    PyObject *type = state->error;
    const char *text = NULL;
    int number = ERROR_INVALID_CODE;
    bool verification = false;
    switch (o->kind) {
    case SSL_ERROR_ZERO_RETURN:
        type = state->zero_return; number = ERROR_ZERO_RETURN; text = "TLS/SSL connection has been closed (EOF)";
        break;
    case SSL_ERROR_WANT_READ:
        type = state->want_read; number = ERROR_WANT_READ; text = "The operation did not complete (read)";
        break;
    case SSL_ERROR_WANT_WRITE:
        type = state->want_write; number = ERROR_WANT_WRITE; text = "The operation did not complete (write)";
        break;
    case SSL_ERROR_WANT_X509_LOOKUP: number = ERROR_WANT_X509_LOOKUP; text = "The operation did not complete (X509 lookup)"; break;
    case SSL_ERROR_WANT_CONNECT: number = ERROR_WANT_CONNECT; text = "The operation did not complete (connect)"; break;
    case SSL_ERROR_SYSCALL:
        if (!o->code && o->os_error) return raise_system(c, o->os_error);
        number = ERROR_SYSCALL;
        if (!o->code) {
            type = state->end_of_file; number = ERROR_EOF; text = "EOF occurred in violation of protocol";
        }
        break;
    case SSL_ERROR_SSL:
        number = ERROR_SSL;
        if (!o->code) text = "A failure in the SSL library occurred";
        break;
    default: text = "Invalid error code";
    }
    if (o->kind == SSL_ERROR_SYSCALL || o->kind == SSL_ERROR_SSL) {
        if (ERR_GET_LIB(o->code) == ERR_LIB_SYS) return raise_system(c, ERR_GET_REASON(o->code));
        if (ERR_GET_REASON(o->code) == ERR_R_MALLOC_FAILURE) return raise_system(c, ENOMEM);
        if (is_reason(o->code, SSL_R_CERTIFICATE_VERIFY_FAILED)) {
            type = state->verification;
            verification = true;
        }
        if (is_reason(o->code, SSL_R_UNEXPECTED_EOF_WHILE_READING)) {
            type = state->end_of_file; number = ERROR_EOF; text = "EOF occurred in violation of protocol";
        }
    }
    raise_error(state, type, verification ? c : NULL, number, text, o->code, line);
    raise_pending(c);
    return NULL;
}

int raise_pending(Connection *c)
{
    PyObject *pending = c->pending;
    if (!pending) return 0;
    c->pending = NULL;
    PyObject *raised = PyErr_GetRaisedException();
    if (!raised) raised = pending;
    else if (raised != pending) PyException_SetContext(raised, pending);
    else Py_DECREF(pending);
    PyErr_SetRaisedException(raised);
    return -1;
}

/* ---- SSLError and its children ------------------------------------------------------------------------------------------- */

/* The message alone when there is one: OSError's own form would show the number. */
static PyObject *error_str(PyObject *self)
{
    PyOSErrorObject *error = (PyOSErrorObject *)self;
    if (error->strerror && PyUnicode_Check(error->strerror)) return Py_NewRef(error->strerror);
    return PyObject_Str(error->args);
}

static PyType_Slot error_slots[] = {
    SLOT(tp_doc, "An error occurred in the SSL implementation."), SLOT(tp_str, error_str), { 0, NULL },
};
static PyType_Spec error_spec = {
    "ssl.SSLError", sizeof(PyOSErrorObject), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_IMMUTABLETYPE, error_slots,
};

static int add_child(PyObject *module, SslState *state, PyObject **place, const char *name, const char *doc, PyObject *bases)
{
    *place = PyErr_NewExceptionWithDoc(name, doc, bases ? bases : state->error, NULL);
    return *place ? PyModule_AddObjectRef(module, strchr(name, '.') + 1, *place) : -1;
}

int errors_add(PyObject *module, SslState *state)
{
    if (!(state->reason_name = PyUnicode_InternFromString("reason")) || !(state->library_name = PyUnicode_InternFromString("library"))) return -1;
    PyObject *bases = PyTuple_Pack(1, PyExc_OSError);
    if (!bases) return -1;
    state->error = PyType_FromModuleAndSpec(module, &error_spec, bases);
    Py_DECREF(bases);
    if (!state->error || PyModule_AddObjectRef(module, "SSLError", state->error) < 0) return -1;
    if (!(bases = PyTuple_Pack(2, state->error, PyExc_ValueError))) return -1;
    int status = add_child(module, state, &state->verification, "ssl.SSLCertVerificationError", "A certificate could not be verified.", bases);
    Py_DECREF(bases);
    if (status < 0 ||
        add_child(module, state, &state->zero_return, "ssl.SSLZeroReturnError", "SSL/TLS session closed cleanly.", NULL) < 0 ||
        add_child(module, state, &state->want_write, "ssl.SSLWantWriteError",
                  "Non-blocking SSL socket needs to write more data\nbefore the requested operation can be completed.", NULL) < 0 ||
        add_child(module, state, &state->want_read, "ssl.SSLWantReadError",
                  "Non-blocking SSL socket needs to read more data\nbefore the requested operation can be completed.", NULL) < 0 ||
        add_child(module, state, &state->system_call, "ssl.SSLSyscallError", "System error when attempting SSL operation.", NULL) < 0 ||
        add_child(module, state, &state->end_of_file, "ssl.SSLEOFError", "SSL/TLS connection terminated abruptly.", NULL) < 0) return -1;
    return 0;
}

/* ---- arguments ----------------------------------------------------------------------------------------------------------- */

const char *str_argument(PyObject *o, const char *what)
{
    Py_ssize_t n;
    if (!PyUnicode_Check(o)) {
        PyErr_Format(PyExc_TypeError, "%s must be str, not %.50s", what, o == Py_None ? "None" : Py_TYPE(o)->tp_name);
        return NULL;
    }
    const char *text = PyUnicode_AsUTF8AndSize(o, &n);
    if (text && strlen(text) != (size_t)n) {
        PyErr_SetString(PyExc_ValueError, "embedded null character");
        return NULL;
    }
    return text;
}
