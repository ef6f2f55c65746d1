/* Shared by the files of the _ssl module.
 *
 * Who may be in the library at once: a connection's calls are made without the GIL and under its lock, so two threads that read
 * and write the same connection are in the library one after the other. No call of the library ever blocks in the system:
 * sockets are read and written with MSG_DONTWAIT, and waiting is done outside of the lock (connection.c). Whatever a callback
 * does with its own connection is either harmless or refused.
 *
 * A handshake reads its context's list of ciphers; the library has no lock for that. A context counts the threads that are in
 * the library with an unfinished handshake (not those that are in a callback), and set_ciphers() waits until there are none.
 *
 * Lifetimes: an SSL structure points to SSL_CTX structures whose callbacks point to Context objects. A connection therefore
 * holds the context it was made with and the one it has now until it is freed, and a context holds the module. */
#ifndef TAIPAN_SHARED_SSL_PRIVATE_H
#define TAIPAN_SHARED_SSL_PRIVATE_H

#define OPENSSL_SUPPRESS_DEPRECATED           /* methods for one version alone; DH parameters: what replaces those reports other errors */
#include "modules/socket/socket_capi.h"
#include "modules/support.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef struct SslState {
    PyTypeObject *context, *connection, *memory_bio, *session, *certificate;
    PyObject *error, *zero_return, *want_read, *want_write, *system_call, *end_of_file, *verification;
    PyObject *reason_name, *library_name;     /* interned */
    PyObject *socket_capsule;                 /* keeps what socket points to */
    SocketCapi *socket;
} SslState;

/* A mutex that its holder can recognise as its own. */
typedef struct Lock { PyMutex mutex; unsigned long owner; } Lock;

typedef struct Context {
    PyObject_HEAD
    SSL_CTX *ctx;
    PyObject *module;
    SslState *state;
    PyObject *sni_callback, *msg_callback, *psk_client, *psk_server, *keylog_name;    /* each may be NULL */
    FILE *keylog;
    unsigned char *alpn;
    unsigned alpn_size, host_flags;
    int protocol;
    bool check_hostname, post_handshake_auth;
    Lock lock;                                /* around what changes the SSL_CTX or copies it, where the GIL does not help */
    int inside, changing;                     /* atomic: threads in handshakes; the list of ciphers is being changed */
} Context;

typedef struct Connection {
    PyObject_HEAD
    SSL *ssl;
    Context *context, *first;                 /* the one it has now, the one it was made with */
    PyObject *socket;                         /* weak reference; NULL: it stands on memory BIOs */
    PyObject *owner;                          /* weak reference or NULL */
    PyObject *hostname;                       /* str or NULL */
    PyObject *pending;                        /* what a callback raised */
    PyThreadState *thread;                    /* of the thread that is in the library without the GIL */
    int fd, os_error;                         /* of the call under way: for the BIO, and by it */
    bool server, end_of_file, shutdown_seen_zero;
    bool choosing;                            /* in the callback for names of servers */
    Context *counted;                         /* borrowed: where this connection's thread is counted, or NULL */
    Lock lock, writing;                       /* in the library; in a write, which may take several calls */
} Connection;

typedef struct MemoryBio { PyObject_HEAD BIO *bio; SslState *state; bool ended; } MemoryBio;
typedef struct Session { PyObject_HEAD SSL_SESSION *session; Context *context; } Session;
typedef struct Certificate { PyObject_HEAD X509 *x509; SslState *state; Py_hash_t hash; } Certificate;

#define CONTEXT(o)     ((Context *)(o))
#define CONNECTION(o)  ((Connection *)(o))
#define MEMORY_BIO(o)  ((MemoryBio *)(o))
#define SESSION(o)     ((Session *)(o))
#define CERTIFICATE(o) ((Certificate *)(o))

/* What Python calls the methods and modes. */
enum { PROTOCOL_SSLv3 = 1, PROTOCOL_TLS = 2, PROTOCOL_TLSv1 = 3, PROTOCOL_TLSv1_1 = 4, PROTOCOL_TLSv1_2 = 5, PROTOCOL_TLS_CLIENT = 16, PROTOCOL_TLS_SERVER = 17 };
enum { CERT_NONE, CERT_OPTIONAL, CERT_REQUIRED };
enum { ENCODING_PEM = 1, ENCODING_DER = 2, ENCODING_PEM_AUX = 0x101 };
enum { ERROR_NONE = 0, ERROR_SSL = 1, ERROR_WANT_READ, ERROR_WANT_WRITE, ERROR_WANT_X509_LOOKUP, ERROR_SYSCALL, ERROR_ZERO_RETURN,
       ERROR_WANT_CONNECT, ERROR_EOF, ERROR_NO_SOCKET, ERROR_INVALID_CODE };

/* Messages end in "(_ssl.c:N)"; programs and people search for CPython's numbers, so these are those of 3.13.5. */
enum {
    LINE_SERVER_SOCKET = 820, LINE_CLIENT_SOCKET = 827, LINE_HOSTNAME = 777, LINE_SSL_NEW = 834, LINE_HANDSHAKE_GONE = 970,
    LINE_HANDSHAKE = 1029, LINE_NAME = 1100, LINE_WRITE_GONE = 2423, LINE_WRITE = 2495,
    LINE_READ_GONE = 2568, LINE_READ = 2650, LINE_SHUTDOWN_GONE = 2697, LINE_SHUTDOWN = 2777, LINE_VERIFY_POST_HANDSHAKE = 2854,
    LINE_CONTEXT = 3150, LINE_CERTIFICATE = 4093, LINE_PRIVATE_KEY = 4114, LINE_CHECK_KEY = 4122, LINE_CADATA_NONE = 4212,
    LINE_CADATA = 4225, LINE_VERIFY_LOCATIONS = 4346, LINE_DH = 4401, LINE_DEFAULT_PATHS = 4560, LINE_CURVE = 4587,
    LINE_PSK_CLIENT = 5008, LINE_PSK_SERVER = 5119,
};

/* ---- locks --------------------------------------------------------------------------------------------------------------- */

/* false: this thread has it already. Waiting gives up the GIL. */
static inline bool lock_take(Lock *lock)
{
    unsigned long me = PyThread_get_thread_ident();
    if (__atomic_load_n(&lock->owner, __ATOMIC_RELAXED) == me) return false;
    PyMutex_Lock(&lock->mutex);
    __atomic_store_n(&lock->owner, me, __ATOMIC_RELAXED);
    return true;
}

static inline void lock_release(Lock *lock, bool taken)
{
    if (!taken) return;
    __atomic_store_n(&lock->owner, 0, __ATOMIC_RELAXED);
    PyMutex_Unlock(&lock->mutex);
}

/* ---- errors.c ------------------------------------------------------------------------------------------------------------ */

/* What a call of the library on a connection came to. */
typedef struct Outcome { int result, kind, os_error; unsigned long code; } Outcome;

/* From the library's queue, which is then empty. NULL. */
void *raise_last(SslState *state, int line);
/* With this text and the line. NULL. */
void *raise_text(SslState *state, const char *text, int line);
/* A failed call on a connection. NULL. */
void *raise_outcome(Connection *c, const Outcome *outcome, int line);
/* OSError when errno is set, else from the queue. NULL. */
void *raise_file_error(SslState *state, int error, PyObject *path, int line);
/* Makes what a callback raised the context of the exception that is set, or the exception. -1 if there was one. */
int raise_pending(Connection *c);
int errors_add(PyObject *module, SslState *state);

/* ---- bio.c --------------------------------------------------------------------------------------------------------------- */

extern PyType_Spec memory_bio_spec;
BIO *socket_bio_new(Connection *c);

/* ---- certificate.c ------------------------------------------------------------------------------------------------------- */

extern PyType_Spec certificate_spec;
PyObject *certificate_decode(SslState *state, X509 *x509);
PyObject *certificate_der(SslState *state, X509 *x509);
/* A Certificate for each of the chain. */
PyObject *certificate_list(SslState *state, STACK_OF(X509) *chain);
PyObject *certificate_new(SslState *state, X509 *x509);

/* ---- context.c, context_load.c, context_callbacks.c ---------------------------------------------------------------------- */

extern PyType_Spec context_spec;
PyObject *context_load_chain(Context *c, PyObject *certificate, PyObject *key, PyObject *password);
PyObject *context_load_authorities(Context *c, PyObject *file, PyObject *folder, PyObject *data);
PyObject *context_load_dh(Context *c, PyObject *path);
PyObject *context_store_stats(Context *c);
PyObject *context_authorities(Context *c, bool binary);
PyObject *context_set_psk_client(Context *c, PyObject *callback);
PyObject *context_set_psk_server(Context *c, PyObject *callback, PyObject *hint);
PyObject *context_get_sni_callback(PyObject *self, void *closure);
PyObject *context_get_msg_callback(PyObject *self, void *closure);
PyObject *context_get_keylog(PyObject *self, void *closure);
int context_set_sni_callback(PyObject *self, PyObject *value, void *closure);
int context_set_msg_callback(PyObject *self, PyObject *value, void *closure);
int context_set_keylog(PyObject *self, PyObject *value, void *closure);
int context_set_verify_mode(Context *c, int mode);
void context_install_msg_callback(Context *c, SSL *ssl);
void context_free_callbacks(Context *c);
int callback_alpn(SSL *ssl, const unsigned char **out, unsigned char *size, const unsigned char *in, unsigned in_size, void *arg);
SslState *state_of(PyTypeObject *type);

/* ---- connection.c, connection_info.c, session.c -------------------------------------------------------------------------- */

extern PyType_Spec connection_spec, session_spec;
extern PyGetSetDef connection_getset[];
PyObject *connection_peer_certificate(Connection *c, bool der);
PyObject *connection_chain(Connection *c, bool verified);
PyObject *connection_cipher_in_use(Connection *c);
PyObject *connection_common_ciphers(Connection *c);
PyObject *connection_version_text(Connection *c);
PyObject *connection_alpn_text(Connection *c);
PyObject *connection_compression_text(Connection *c);
PyObject *connection_binding(Connection *c, const char *kind);
PyObject *connection_new(Context *context, PyObject *socket, MemoryBio *in, MemoryBio *out, bool server, const char *hostname, PyObject *owner, PyObject *session);
/* What a callback is given for the connection: the owner, the socket, or the connection. New, NULL when that is gone. */
PyObject *connection_shown(Connection *c);
int connection_set_owner(PyObject *self, PyObject *value, void *closure);
int connection_set_session(PyObject *self, PyObject *value, void *closure);
PyObject *connection_get_session(PyObject *self, void *closure);

/* Around a step of a handshake, without the GIL. */
static inline void handshake_enter(Connection *c)
{
    Context *context = c->context;
    for (;;) {
        __atomic_add_fetch(&context->inside, 1, __ATOMIC_SEQ_CST);
        if (LIKELY(!__atomic_load_n(&context->changing, __ATOMIC_SEQ_CST))) break;
        __atomic_sub_fetch(&context->inside, 1, __ATOMIC_SEQ_CST);
        while (__atomic_load_n(&context->changing, __ATOMIC_SEQ_CST)) usleep(20);
    }
    c->counted = context;
}

static inline void handshake_leave(Connection *c)
{
    if (c->counted) __atomic_sub_fetch(&c->counted->inside, 1, __ATOMIC_SEQ_CST);
    c->counted = NULL;
}

/* In a callback: with the GIL, and out again. The callback may change the connection's context. */
static inline void callback_begin(Connection *c, PyThreadState **left)
{
    handshake_leave(c);
    *left = c->thread;
    c->thread = NULL;
    if (*left) PyEval_RestoreThread(*left);
}

static inline void callback_end(Connection *c, PyThreadState *left)
{
    if (!left) return;
    c->thread = PyEval_SaveThread();
    if (SSL_in_init(c->ssl)) handshake_enter(c);
}

/* ---- arguments ----------------------------------------------------------------------------------------------------------- */

/* The text of a str without NUL; what: "f() argument 'x'". NULL with an exception. */
const char *str_argument(PyObject *o, const char *what);
/* 0, or -1 when an attribute is being deleted. */
static inline int refuse_delete(PyObject *value)
{
    if (value) return 0;
    PyErr_SetString(PyExc_TypeError, "function takes at least one argument");
    return -1;
}

#endif
