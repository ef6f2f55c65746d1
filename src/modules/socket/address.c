/* _socket: addresses, both ways. */
#include "socket_private.h"

#include <stddef.h>

PyObject *raise_gaierror(SocketState *state, int error)
{
    if (error == EAI_SYSTEM) return PyErr_SetFromErrno(PyExc_OSError);
    PyObject *value = Py_BuildValue("(is)", error, gai_strerror(error));
    if (value) PyErr_SetObject(state->gaierror, value);
    Py_XDECREF(value);
    return NULL;
}

int host_get(SocketState *state, const char *name, Address *address, size_t size, int family)
{
    struct addrinfo hints = { .ai_family = family, .ai_socktype = SOCK_DGRAM }, *found;
    int error;
    memset(address, 0, size);
    if (!name[0]) {
        hints.ai_flags = AI_PASSIVE;
        Py_BEGIN_ALLOW_THREADS
        error = getaddrinfo(NULL, "0", &hints, &found);
        Py_END_ALLOW_THREADS
        if (error) {
            raise_gaierror(state, error);
            return -1;
        }
        if (found->ai_next) {
            freeaddrinfo(found);
            PyErr_SetString(PyExc_OSError, "wildcard resolved to multiple address");
            return -1;
        }
        memcpy(address, found->ai_addr, found->ai_addrlen < size ? found->ai_addrlen : size);
        freeaddrinfo(found);
        return 0;
    }
    if (strcmp(name, "<broadcast>") == 0 || strcmp(name, "255.255.255.255") == 0) {
        if (family != AF_INET && family != AF_UNSPEC) {
            PyErr_SetString(PyExc_OSError, "address family mismatched");
            return -1;
        }
        address->in = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = INADDR_BROADCAST };
        return 0;
    }
    if ((family == AF_UNSPEC || family == AF_INET) && inet_pton(AF_INET, name, &address->in.sin_addr) > 0) {
        address->in.sin_family = AF_INET;
        return 0;
    }
    if ((family == AF_UNSPEC || family == AF_INET6) && !strchr(name, '%') && inet_pton(AF_INET6, name, &address->in6.sin6_addr) > 0) {
        address->in6.sin6_family = AF_INET6;
        return 0;
    }
    hints.ai_socktype = 0;
    Py_BEGIN_ALLOW_THREADS
    error = getaddrinfo(name, NULL, &hints, &found);
    Py_END_ALLOW_THREADS
    if (error) {
        raise_gaierror(state, error);
        return -1;
    }
    memcpy(address, found->ai_addr, found->ai_addrlen < size ? found->ai_addrlen : size);
    freeaddrinfo(found);
    return 0;
}

/* A host argument: str (IDNA), bytes or bytearray. NEW bytes object. */
static PyObject *host_bytes(PyObject *host)
{
    PyObject *bytes = NULL;
    if (PyUnicode_Check(host)) {
        if (PyUnicode_IS_ASCII(host)) bytes = PyBytes_FromStringAndSize(PyUnicode_DATA(host), PyUnicode_GET_LENGTH(host));
        else bytes = PyUnicode_AsEncodedString(host, "idna", NULL);
    }
    else if (PyBytes_Check(host)) bytes = Py_NewRef(host);
    else if (PyByteArray_Check(host)) bytes = PyBytes_FromStringAndSize(PyByteArray_AS_STRING(host), PyByteArray_GET_SIZE(host));
    else PyErr_Format(PyExc_TypeError, "str, bytes or bytearray expected, not %s", Py_TYPE(host)->tp_name);
    if (bytes && strlen(PyBytes_AS_STRING(bytes)) != (size_t)PyBytes_GET_SIZE(bytes)) {
        PyErr_SetString(PyExc_TypeError, "host name must not contain null character");
        Py_CLEAR(bytes);
    }
    return bytes;
}

static int port_get(PyObject *value, const char *function, int *port)
{
    long n = PyLong_AsLong(value);
    if (n == -1 && PyErr_Occurred() && !PyErr_ExceptionMatches(PyExc_OverflowError)) return -1;
    if (PyErr_Occurred() || n < 0 || n > 0xffff) {
        PyErr_Clear();
        PyErr_Format(PyExc_OverflowError, "%s(): port must be 0-65535.", function);
        return -1;
    }
    *port = (int)n;
    return 0;
}

static int wants_tuple(const char *function, const char *family, PyObject *object)
{
    if (PyTuple_Check(object)) return 0;
    PyErr_Format(PyExc_TypeError, "%s(): %s address must be tuple, not %.500s", function, family, Py_TYPE(object)->tp_name);
    return -1;
}

static int unix_get(PyObject *object, Address *address, socklen_t *length)
{
    PyObject *path = NULL;
    Py_buffer view;
    if (PyUnicode_Check(object)) path = PyUnicode_EncodeFSDefault(object);
    else path = Py_NewRef(object);
    if (!path) return -1;
    int status = PyObject_GetBuffer(path, &view, PyBUF_SIMPLE);
    Py_DECREF(path);
    if (status < 0) return -1;
    size_t n = (size_t)view.len;
    bool abstract = n == 0 || ((char *)view.buf)[0] == '\0';      /* Linux's abstract names start with a NUL */
    if (n > sizeof address->un.sun_path || (!abstract && n + 1 > sizeof address->un.sun_path)) {
        PyErr_SetString(PyExc_OSError, "AF_UNIX path too long");
        status = -1;
    }
    else {
        memset(&address->un, 0, sizeof address->un);
        address->un.sun_family = AF_UNIX;
        memcpy(address->un.sun_path, view.buf, n);
        *length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + !abstract);
    }
    PyBuffer_Release(&view);
    return status;
}

static int inet_get(SocketState *state, PyObject *object, Address *address, socklen_t *length, const char *function)
{
    int port;
    if (wants_tuple(function, "AF_INET", object) < 0) return -1;
    if (PyTuple_GET_SIZE(object) != 2) {
        PyErr_Format(PyExc_TypeError, "AF_INET address must be a pair (host, port)");
        return -1;
    }
    PyObject *host = host_bytes(PyTuple_GET_ITEM(object, 0));
    if (!host) return -1;
    int status = host_get(state, PyBytes_AS_STRING(host), address, sizeof address->in, AF_INET);
    Py_DECREF(host);
    if (status < 0 || port_get(PyTuple_GET_ITEM(object, 1), function, &port) < 0) return -1;
    address->in.sin_family = AF_INET;
    address->in.sin_port = htons((uint16_t)port);
    *length = sizeof address->in;
    return 0;
}

static int inet6_get(SocketState *state, PyObject *object, Address *address, socklen_t *length, const char *function)
{
    int port;
    unsigned flow = 0, scope = 0;
    PyObject *host_object, *port_object;
    if (wants_tuple(function, "AF_INET6", object) < 0) return -1;
    if (!PyArg_ParseTuple(object, "OO|II;AF_INET6 address must be a tuple (host, port[, flowinfo[, scopeid]])", &host_object, &port_object,
                          &flow, &scope)) return -1;
    PyObject *host = host_bytes(host_object);
    if (!host) return -1;
    int status = host_get(state, PyBytes_AS_STRING(host), address, sizeof address->in6, AF_INET6);
    Py_DECREF(host);
    if (status < 0 || port_get(port_object, function, &port) < 0) return -1;
    if (flow > 0xfffff) {
        PyErr_Format(PyExc_OverflowError, "%s(): flowinfo must be 0-1048575.", function);
        return -1;
    }
    address->in6.sin6_family = AF_INET6;
    address->in6.sin6_port = htons((uint16_t)port);
    address->in6.sin6_flowinfo = htonl(flow);
    address->in6.sin6_scope_id = scope;
    *length = sizeof address->in6;
    return 0;
}

static int packet_get(PyObject *object, Address *address, socklen_t *length, const char *function)
{
    const char *name;
    int protocol, kind = 0, hardware = 0;
    Py_buffer bytes = { 0 };
    if (wants_tuple(function, "AF_PACKET", object) < 0) return -1;
    if (!PyArg_ParseTuple(object, "si|iiy*;AF_PACKET address must be a tuple of two to five elements", &name, &protocol, &kind, &hardware, &bytes))
        return -1;
    int status = -1;
    unsigned index = if_nametoindex(name);
    if (!index && name[0]) PyErr_SetFromErrno(PyExc_OSError);
    else if (bytes.buf && bytes.len > 8) PyErr_SetString(PyExc_ValueError, "hardware address must be 8 bytes or less");
    else if (protocol < 0 || protocol > 0xffff) PyErr_Format(PyExc_OverflowError, "%s(): proto must be 0-65535.", function);
    else {
        address->ll = (struct sockaddr_ll){ .sll_family = AF_PACKET, .sll_protocol = htons((uint16_t)protocol), .sll_ifindex = (int)index,
                                            .sll_pkttype = (unsigned char)kind, .sll_hatype = (unsigned short)hardware };
        if (bytes.buf) {
            memcpy(address->ll.sll_addr, bytes.buf, (size_t)bytes.len);
            address->ll.sll_halen = (unsigned char)bytes.len;
        }
        *length = sizeof address->ll;
        status = 0;
    }
    if (bytes.buf) PyBuffer_Release(&bytes);
    return status;
}

int address_get(SocketState *state, int family, int protocol, PyObject *object, Address *address, socklen_t *length, const char *function)
{
    switch (family) {
    case AF_UNIX: return unix_get(object, address, length);
    case AF_INET: return inet_get(state, object, address, length, function);
    case AF_INET6: return inet6_get(state, object, address, length, function);
    case AF_PACKET: return packet_get(object, address, length, function);
    case AF_NETLINK: {
        unsigned pid, groups;
        if (wants_tuple(function, "AF_NETLINK", object) < 0) return -1;
        if (!PyArg_ParseTuple(object, "II;AF_NETLINK address must be a pair (pid, groups)", &pid, &groups)) return -1;
        address->nl = (struct sockaddr_nl){ .nl_family = AF_NETLINK, .nl_pid = pid, .nl_groups = groups };
        *length = sizeof address->nl;
        return 0;
    }
    case AF_VSOCK: {
        unsigned cid, port;
        if (wants_tuple(function, "AF_VSOCK", object) < 0) return -1;
        if (!PyArg_ParseTuple(object, "II:getsockaddrarg", &cid, &port)) return -1;
        memset(&address->vm, 0, sizeof address->vm);
        address->vm.svm_family = AF_VSOCK;
        address->vm.svm_port = port;
        address->vm.svm_cid = cid;
        *length = sizeof address->vm;
        return 0;
    }
    case AF_CAN: {
        PyObject *name = NULL;
        if (wants_tuple(function, "AF_CAN", object) < 0) return -1;
        if (!PyArg_ParseTuple(object, "O&;AF_CAN address must be a tuple (interface, )", PyUnicode_FSConverter, &name)) return -1;
        unsigned index = PyBytes_GET_SIZE(name) ? if_nametoindex(PyBytes_AS_STRING(name)) : 0;
        bool ok = index || !PyBytes_GET_SIZE(name);
        if (!ok) PyErr_SetFromErrno(PyExc_OSError);
        Py_DECREF(name);
        if (!ok) return -1;
        memset(&address->can, 0, sizeof address->can);
        address->can.can_family = AF_CAN;
        address->can.can_ifindex = (int)index;
        *length = sizeof address->can;
        return 0;
    }
    default:
        PyErr_Format(PyExc_OSError, "%s(): bad family", function);
        return -1;
    }
}

static PyObject *numeric_host(const Address *address, socklen_t length)
{
    char text[NI_MAXHOST];
    bool four = address->any.sa_family == AF_INET;
    if (four || address->any.sa_family == AF_INET6) {           /* the scope is a number of the tuple, no part of the text */
        const void *bits = four ? (const void *)&address->in.sin_addr : &address->in6.sin6_addr;
        if (!inet_ntop(address->any.sa_family, bits, text, sizeof text)) return PyErr_SetFromErrno(PyExc_OSError);
        return PyUnicode_FromString(text);
    }
    int error = getnameinfo(&address->any, length, text, sizeof text, NULL, 0, NI_NUMERICHOST);
    if (error) return PyErr_Format(PyExc_OSError, "getnameinfo: %s", gai_strerror(error));
    return PyUnicode_FromString(text);
}

PyObject *address_object(int family, const Address *address, socklen_t length)
{
    if (length == 0) Py_RETURN_NONE;                      /* a peer without a name */
    switch (address->any.sa_family) {
    case AF_INET: {
        PyObject *host = numeric_host(address, sizeof address->in);
        return host ? Py_BuildValue("(Ni)", host, ntohs(address->in.sin_port)) : NULL;
    }
    case AF_INET6: {
        PyObject *host = numeric_host(address, sizeof address->in6);
        if (!host) return NULL;
        return Py_BuildValue("(NiII)", host, ntohs(address->in6.sin6_port), (unsigned)ntohl(address->in6.sin6_flowinfo), (unsigned)address->in6.sin6_scope_id);
    }
    case AF_UNIX: {
        size_t n = length > offsetof(struct sockaddr_un, sun_path) ? length - offsetof(struct sockaddr_un, sun_path) : 0;
        if (n > 0 && address->un.sun_path[0] == '\0') return PyBytes_FromStringAndSize(address->un.sun_path, (Py_ssize_t)n);
        return PyUnicode_DecodeFSDefaultAndSize(address->un.sun_path, n ? (Py_ssize_t)strnlen(address->un.sun_path, n) : 0);
    }
    case AF_NETLINK: return Py_BuildValue("II", address->nl.nl_pid, address->nl.nl_groups);
    case AF_VSOCK: return Py_BuildValue("II", address->vm.svm_cid, address->vm.svm_port);
    case AF_PACKET: {
        char name[IF_NAMESIZE] = "";
        if (address->ll.sll_ifindex) if_indextoname((unsigned)address->ll.sll_ifindex, name);
        return Py_BuildValue("shbhy#", name, ntohs(address->ll.sll_protocol), address->ll.sll_pkttype,
                             address->ll.sll_hatype, address->ll.sll_addr, (Py_ssize_t)address->ll.sll_halen);
    }
    default: return Py_BuildValue("iy#", (int)address->any.sa_family, address->any.sa_data, (Py_ssize_t)sizeof address->any.sa_data);
    }
}
