/* What _socket's capsule "_socket.CAPI" holds: CPython's three fields first, then what _ssl needs to know of a socket.
 * For modules in shared objects too: it stands on the public C API alone. */
#ifndef TAIPAN_MODULES_SOCKET_CAPI_H
#define TAIPAN_MODULES_SOCKET_CAPI_H

#include "taipan.h"

typedef struct SocketCapi {
    PyTypeObject *Sock_Type;
    PyObject *error, *timeout_error;
    int (*descriptor)(PyObject *socket);      /* -1: closed */
    int64_t (*timeout)(PyObject *socket);     /* ns; -1: blocking, 0: non-blocking */
} SocketCapi;

#endif
