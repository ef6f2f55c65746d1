/* Shared by the files of the _socket module. */
#ifndef TAIPAN_MODULES_SOCKET_PRIVATE_H
#define TAIPAN_MODULES_SOCKET_PRIVATE_H

#include "capi/args.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netpacket/packet.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <linux/can.h>
#include <linux/netlink.h>
#include <linux/vm_sockets.h>

typedef union Address {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
    struct sockaddr_un un;
    struct sockaddr_ll ll;
    struct sockaddr_nl nl;
    struct sockaddr_can can;
    struct sockaddr_vm vm;
    struct sockaddr_storage storage;
} Address;

typedef struct Socket {
    PyObject_HEAD
    int fd, family, type, protocol;
    int64_t timeout;                          /* ns; -1: blocking, 0: non-blocking */
} Socket;

typedef struct SocketState {
    PyTypeObject *socket;
    PyObject *herror, *gaierror;
    int64_t default_timeout;
} SocketState;

#define SOCKET(o) ((Socket *)(o))

extern struct PyModuleDef socket_definition;
extern PyMethodDef socket_name_methods[];
extern PyType_Spec socket_spec;

static inline SocketState *socket_state(PyObject *module) { return PyModule_GetState(module); }

/* The C address of a Python one for a socket of this family. 0 or -1; `function` is for messages. */
int address_get(SocketState *state, int family, int protocol, PyObject *object, Address *address, socklen_t *length, const char *function);
PyObject *address_object(int family, const Address *address, socklen_t length);
/* A host name or address as the first address that it has. 0 or -1. */
int host_get(SocketState *state, const char *name, Address *address, size_t size, int family);
PyObject *raise_gaierror(SocketState *state, int error);
PyObject *socket_make(PyTypeObject *type, int fd, int family, int kind, int protocol);

#endif
