/* _socket: the module's functions: names, addresses and services, byte order, interfaces. */
#include "socket_private.h"
#include "capi/args.h"

#include <fcntl.h>
#include <net/if.h>

int timeout_argument(PyObject *value, int64_t *timeout);

static PyObject *os_error(void) { return PyErr_SetFromErrno(PyExc_OSError); }

static PyObject *raise_herror(SocketState *state, int error)
{
    PyObject *value = Py_BuildValue("(is)", error, hstrerror(error));
    if (value) PyErr_SetObject(state->herror, value);
    Py_XDECREF(value);
    return NULL;
}

BUILTIN_NOARGS(sockets, gethostname, "() -> string", "Return the current host name.")
{
    char name[1024];
    if (PySys_Audit("socket.gethostname", NULL) < 0) return NULL;
    if (gethostname(name, sizeof name - 1) < 0) return os_error();
    name[sizeof name - 1] = '\0';
    return PyUnicode_DecodeFSDefault(name);
}

BUILTIN_O(sockets, sethostname, "(name)", "Sets the hostname to name.")
{
    PyObject *bytes = NULL;
    if (!PyUnicode_FSConverter(arg, &bytes)) return NULL;
    int result = PySys_Audit("socket.sethostname", "(O)", arg) < 0 ? -2 : sethostname(PyBytes_AS_STRING(bytes), (size_t)PyBytes_GET_SIZE(bytes));
    Py_DECREF(bytes);
    if (result == -1) return os_error();
    if (result < 0) return NULL;
    Py_RETURN_NONE;
}

static PyObject *idna(PyObject *name)
{
    if (PyBytes_Check(name)) return Py_NewRef(name);
    if (!PyUnicode_Check(name)) return PyErr_Format(PyExc_TypeError, "str, bytes or bytearray expected, not %s", Py_TYPE(name)->tp_name);
    if (PyUnicode_IS_ASCII(name)) {
        PyObject *bytes = PyBytes_FromStringAndSize(PyUnicode_DATA(name), PyUnicode_GET_LENGTH(name));
        if (bytes && strlen(PyBytes_AS_STRING(bytes)) != (size_t)PyBytes_GET_SIZE(bytes)) {
            Py_DECREF(bytes);
            return PyErr_Format(PyExc_ValueError, "embedded null character");
        }
        return bytes;
    }
    return PyUnicode_AsEncodedString(name, "idna", NULL);
}

BUILTIN_O(sockets, gethostbyname, "(host) -> address", "Return the IP address (a string of the form '255.255.255.255') for a host.")
{
    Address address;
    char text[INET_ADDRSTRLEN];
    PyObject *host = idna(arg);
    if (!host) return NULL;
    int status = PySys_Audit("socket.gethostbyname", "O", arg) < 0 ? -1 : host_get(socket_state(self), PyBytes_AS_STRING(host), &address, sizeof address.in, AF_INET);
    Py_DECREF(host);
    if (status < 0) return NULL;
    return PyUnicode_FromString(inet_ntop(AF_INET, &address.in.sin_addr, text, sizeof text));
}

static PyObject *hostent_object(struct hostent *h)
{
    PyObject *aliases = PyList_New(0), *addresses = PyList_New(0);
    char text[INET6_ADDRSTRLEN];
    for (char **a = h->h_aliases; aliases && a && *a; a++) {
        PyObject *item = PyUnicode_FromString(*a);
        if (!item || PyList_Append(aliases, item) < 0) Py_CLEAR(aliases);
        Py_XDECREF(item);
    }
    for (char **a = h->h_addr_list; addresses && *a; a++) {
        PyObject *item = PyUnicode_FromString(inet_ntop(h->h_addrtype, *a, text, sizeof text));
        if (!item || PyList_Append(addresses, item) < 0) Py_CLEAR(addresses);
        Py_XDECREF(item);
    }
    if (aliases && addresses) return Py_BuildValue("(sNN)", h->h_name, aliases, addresses);
    Py_XDECREF(aliases);
    Py_XDECREF(addresses);
    return NULL;
}

BUILTIN_O(sockets, gethostbyname_ex, "(host) -> (name, aliaslist, addresslist)", "Return the true host name, a list of aliases, and a list of IP addresses, for a host.")
{
    PyObject *host = idna(arg), *o = NULL;
    char *buffer;
    struct hostent entry, *found = NULL;
    int error = 0;
    if (!host) return NULL;
    if (PySys_Audit("socket.gethostbyname", "O", arg) >= 0 && (buffer = PyMem_Malloc(16384))) {
        Py_BEGIN_ALLOW_THREADS
        gethostbyname_r(PyBytes_AS_STRING(host), &entry, buffer, 16384, &found, &error);
        Py_END_ALLOW_THREADS
        o = found ? hostent_object(found) : raise_herror(socket_state(self), error);
        PyMem_Free(buffer);
    }
    Py_DECREF(host);
    return o;
}

BUILTIN_O(sockets, gethostbyaddr, "(host) -> (name, aliaslist, addresslist)", "Return the true host name, a list of aliases, and a list of IP addresses, for a host, by name or address.")
{
    PyObject *host = idna(arg), *o = NULL;
    Address address;
    char *buffer;
    struct hostent entry, *found = NULL;
    int error = 0;
    if (!host) return NULL;
    if (PySys_Audit("socket.gethostbyaddr", "O", arg) >= 0
        && host_get(socket_state(self), PyBytes_AS_STRING(host), &address, sizeof address, AF_UNSPEC) == 0 && (buffer = PyMem_Malloc(16384))) {
        bool six = address.any.sa_family == AF_INET6;
        Py_BEGIN_ALLOW_THREADS
        gethostbyaddr_r(six ? (void *)&address.in6.sin6_addr : (void *)&address.in.sin_addr, six ? 16 : 4, address.any.sa_family, &entry, buffer, 16384, &found, &error);
        Py_END_ALLOW_THREADS
        o = found ? hostent_object(found) : raise_herror(socket_state(self), error);
        PyMem_Free(buffer);
    }
    Py_DECREF(host);
    return o;
}

static PyObject *sockets_getservbyname(PyObject *self, PyObject *args)
{
    const char *name, *protocol = NULL;
    if (!PyArg_ParseTuple(args, "s|s:getservbyname", &name, &protocol) || PySys_Audit("socket.getservbyname", "ss", name, protocol) < 0) return NULL;
    struct servent *s = getservbyname(name, protocol);
    return s ? PyLong_FromLong(ntohs((uint16_t)s->s_port)) : PyErr_Format(PyExc_OSError, "service/proto not found");
}

static PyObject *sockets_getservbyport(PyObject *self, PyObject *args)
{
    int port;
    const char *protocol = NULL;
    if (!PyArg_ParseTuple(args, "i|s:getservbyport", &port, &protocol)) return NULL;
    if (port < 0 || port > 0xffff) return PyErr_Format(PyExc_OverflowError, "getservbyport: port must be 0-65535.");
    if (PySys_Audit("socket.getservbyport", "is", port, protocol) < 0) return NULL;
    struct servent *s = getservbyport(htons((uint16_t)port), protocol);
    return s ? PyUnicode_FromString(s->s_name) : PyErr_Format(PyExc_OSError, "port/proto not found");
}

static PyObject *sockets_getprotobyname(PyObject *self, PyObject *args)
{
    const char *name;
    if (!PyArg_ParseTuple(args, "s:getprotobyname", &name)) return NULL;
    struct protoent *p = getprotobyname(name);
    return p ? PyLong_FromLong(p->p_proto) : PyErr_Format(PyExc_OSError, "protocol not found");
}

BUILTIN_O(sockets, close, "(integer) -> None", "Close an integer socket file descriptor.")
{
    int fd = PyLong_AsInt(arg), result;
    if (fd == -1 && PyErr_Occurred()) return NULL;
    Py_BEGIN_ALLOW_THREADS
    result = close(fd);
    Py_END_ALLOW_THREADS
    if (result < 0 && errno != ECONNRESET) return os_error();
    Py_RETURN_NONE;
}

BUILTIN_O(sockets, dup, "(integer) -> integer", "Duplicate an integer socket file descriptor.")
{
    int fd = PyLong_AsInt(arg);
    if (fd == -1 && PyErr_Occurred()) return NULL;
    fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    return fd < 0 ? os_error() : PyLong_FromLong(fd);
}

static PyObject *sockets_socketpair(PyObject *self, PyObject *args)
{
    int family = AF_UNIX, type = SOCK_STREAM, protocol = 0, fds[2], result;
    SocketState *state = socket_state(self);
    if (!PyArg_ParseTuple(args, "|iii:socketpair", &family, &type, &protocol)) return NULL;
    Py_BEGIN_ALLOW_THREADS
    result = socketpair(family, type | SOCK_CLOEXEC, protocol, fds);
    Py_END_ALLOW_THREADS
    if (result < 0) return os_error();
    PyObject *a = socket_make(state->socket, fds[0], family, type, protocol), *b = a ? socket_make(state->socket, fds[1], family, type, protocol) : NULL;
    if (b) return Py_BuildValue("(NN)", a, b);
    if (a) Py_DECREF(a);
    else close(fds[0]);
    close(fds[1]);
    return NULL;
}

static int u16_argument(PyObject *value, const char *name, uint16_t *x)
{
    if (!PyLong_Check(value)) {
        PyErr_Format(PyExc_TypeError, "expected int, %s found", Py_TYPE(value)->tp_name);
        return -1;
    }
    int n = PyLong_AsInt(value);
    if (n == -1 && PyErr_Occurred()) return -1;
    if (n < 0) PyErr_Format(PyExc_OverflowError, "%s: can't convert negative Python int to C 16-bit unsigned integer", name);
    else if (n > 0xffff) PyErr_Format(PyExc_OverflowError, "%s: Python int too large to convert to C 16-bit unsigned integer", name);
    else {
        *x = (uint16_t)n;
        return 0;
    }
    return -1;
}

static int u32_argument(PyObject *value, uint32_t *x)
{
    if (!PyLong_Check(value)) {
        PyErr_Format(PyExc_TypeError, "expected int, %s found", Py_TYPE(value)->tp_name);
        return -1;
    }
    unsigned long n = PyLong_AsUnsignedLong(value);
    if (n == (unsigned long)-1 && PyErr_Occurred()) return -1;
    if (n > UINT32_MAX) {
        PyErr_SetString(PyExc_OverflowError, "int larger than 32 bits");
        return -1;
    }
    *x = (uint32_t)n;
    return 0;
}

BUILTIN_O(sockets, htons, "($module, x, /)", "Convert a 16-bit unsigned integer from host to network byte order.")
{
    uint16_t x;
    return u16_argument(arg, "htons", &x) < 0 ? NULL : PyLong_FromUnsignedLong(htons(x));
}
BUILTIN_O(sockets, ntohs, "($module, x, /)", "Convert a 16-bit unsigned integer from network to host byte order.")
{
    uint16_t x;
    return u16_argument(arg, "ntohs", &x) < 0 ? NULL : PyLong_FromUnsignedLong(ntohs(x));
}
BUILTIN_O(sockets, htonl, "(integer) -> integer", "Convert a 32-bit integer from host to network byte order.")
{
    uint32_t x;
    return u32_argument(arg, &x) < 0 ? NULL : PyLong_FromUnsignedLong(htonl(x));
}
BUILTIN_O(sockets, ntohl, "(integer) -> integer", "Convert a 32-bit integer from network to host byte order.")
{
    uint32_t x;
    return u32_argument(arg, &x) < 0 ? NULL : PyLong_FromUnsignedLong(ntohl(x));
}

BUILTIN_O(sockets, inet_aton, "($module, ip_addr, /)", "Convert an IP address in string format (123.45.67.89) to the 32-bit packed binary format.")
{
    struct in_addr a;
    const char *text = PyUnicode_Check(arg) ? PyUnicode_AsUTF8(arg) : NULL;
    if (!text) return PyErr_Occurred() ? NULL : PyErr_Format(PyExc_TypeError, "inet_aton() argument must be str, not %T", arg);
    if (!inet_aton(text, &a)) return PyErr_Format(PyExc_OSError, "illegal IP address string passed to inet_aton");
    return PyBytes_FromStringAndSize((char *)&a, sizeof a);
}

BUILTIN_O(sockets, inet_ntoa, "($module, packed_ip, /)", "Convert an IP address from 32-bit packed binary format to string format.")
{
    Py_buffer view;
    struct in_addr a;
    char text[INET_ADDRSTRLEN];
    if (PyObject_GetBuffer(arg, &view, PyBUF_SIMPLE) < 0) return NULL;
    bool ok = view.len == sizeof a;
    if (ok) memcpy(&a, view.buf, sizeof a);
    PyBuffer_Release(&view);
    if (!ok) return PyErr_Format(PyExc_OSError, "packed IP wrong length");
    return PyUnicode_FromString(inet_ntop(AF_INET, &a, text, sizeof text));
}

static PyObject *sockets_inet_pton(PyObject *self, PyObject *args)
{
    int family;
    const char *text;
    char packed[16];
    if (!PyArg_ParseTuple(args, "is:inet_pton", &family, &text)) return NULL;
    int result = inet_pton(family, text, packed);
    if (result < 0) return os_error();
    if (result == 0) return PyErr_Format(PyExc_OSError, "illegal IP address string passed to inet_pton");
    return PyBytes_FromStringAndSize(packed, family == AF_INET ? 4 : 16);
}

static PyObject *sockets_inet_ntop(PyObject *self, PyObject *args)
{
    int family;
    Py_buffer packed;
    char text[INET6_ADDRSTRLEN + 1];
    if (!PyArg_ParseTuple(args, "iy*:inet_ntop", &family, &packed)) return NULL;
    PyObject *o = NULL;
    if (family != AF_INET && family != AF_INET6) PyErr_Format(PyExc_ValueError, "unknown address family %d", family);
    else if (packed.len != (family == AF_INET ? 4 : 16)) PyErr_SetString(PyExc_ValueError, "invalid length of packed IP address string");
    else o = inet_ntop(family, packed.buf, text, sizeof text) ? PyUnicode_FromString(text) : os_error();
    PyBuffer_Release(&packed);
    return o;
}

SIGNATURE(getaddrinfo_signature, "getaddrinfo", KEYWORDS, "(host, port, family=0, type=0, proto=0, flags=0)");

static PyObject *sockets_getaddrinfo(PyObject *self, PyObject *args, PyObject *kwargs)
{
    PyObject *arg[6], *host = NULL, *port = NULL, *list = NULL;
    int numbers[4] = { 0 }, error;
    const char *host_text = NULL, *port_text = NULL;
    struct addrinfo *found = NULL;
    SocketState *state = socket_state(self);
    if (args_bind_tuple(&getaddrinfo_signature, args, kwargs, arg) < 0) return NULL;
    for (int i = 0; i < 4; i++)
        if (arg[i + 2] && (numbers[i] = PyLong_AsInt(arg[i + 2])) == -1 && PyErr_Occurred()) return NULL;
    if (arg[0] != Py_None) {
        if (PyUnicode_Check(arg[0])) host = PyUnicode_IS_ASCII(arg[0]) ? PyUnicode_AsASCIIString(arg[0]) : PyUnicode_AsEncodedString(arg[0], "idna", NULL);
        else if (PyBytes_Check(arg[0])) host = Py_NewRef(arg[0]);
        else PyErr_SetString(PyExc_TypeError, "getaddrinfo() argument 1 must be string or None");
        if (!host) return NULL;
        host_text = PyBytes_AS_STRING(host);
    }
    if (PyLong_CheckExact(arg[1])) {
        PyObject *text = PyObject_Str(arg[1]);
        port = text ? PyUnicode_AsUTF8String(text) : NULL;
        Py_XDECREF(text);
    }
    else if (PyUnicode_Check(arg[1])) port = PyUnicode_AsUTF8String(arg[1]);
    else if (PyBytes_Check(arg[1])) port = Py_NewRef(arg[1]);
    else if (arg[1] != Py_None) PyErr_SetString(PyExc_OSError, "Int or String expected");
    if (PyErr_Occurred()) goto done;
    if (port) port_text = PyBytes_AS_STRING(port);
    if (PySys_Audit("socket.getaddrinfo", "OOiii", arg[0], arg[1], numbers[0], numbers[1], numbers[2]) < 0) goto done;
    struct addrinfo hints = { .ai_family = numbers[0], .ai_socktype = numbers[1], .ai_protocol = numbers[2], .ai_flags = numbers[3] };
    Py_BEGIN_ALLOW_THREADS
    error = getaddrinfo(host_text, port_text, &hints, &found);
    Py_END_ALLOW_THREADS
    if (error) {
        raise_gaierror(state, error);
        found = NULL;
        goto done;
    }
    list = PyList_New(0);
    for (struct addrinfo *a = found; list && a; a = a->ai_next) {
        PyObject *address = address_object(a->ai_family, (Address *)a->ai_addr, a->ai_addrlen);
        PyObject *item = address ? Py_BuildValue("iiisN", a->ai_family, a->ai_socktype, a->ai_protocol, a->ai_canonname ? a->ai_canonname : "", address) : NULL;
        if (!item || PyList_Append(list, item) < 0) Py_CLEAR(list);
        Py_XDECREF(item);
    }
done:
    if (found) freeaddrinfo(found);
    Py_XDECREF(host);
    Py_XDECREF(port);
    return list;
}

static PyObject *sockets_getnameinfo(PyObject *self, PyObject *args)
{
    PyObject *address;
    int flags, port, error;
    const char *host;
    unsigned flow = 0, scope = 0;
    char service[16], host_text[NI_MAXHOST], service_text[NI_MAXSERV];
    SocketState *state = socket_state(self);
    if (!PyArg_ParseTuple(args, "Oi:getnameinfo", &address, &flags)) return NULL;
    if (!PyTuple_Check(address)) return PyErr_Format(PyExc_TypeError, "getnameinfo() argument 1 must be a tuple");
    if (!PyArg_ParseTuple(address, "si|II;getnameinfo(): illegal sockaddr argument", &host, &port, &flow, &scope)) return NULL;
    if (flow > 0xfffff) return PyErr_Format(PyExc_OverflowError, "getnameinfo(): flowinfo must be 0-1048575.");
    if (PySys_Audit("socket.getnameinfo", "(O)", address) < 0) return NULL;
    snprintf(service, sizeof service, "%d", port);
    struct addrinfo hints = { .ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICHOST }, *found = NULL;
    Py_BEGIN_ALLOW_THREADS
    error = getaddrinfo(host, service, &hints, &found);
    Py_END_ALLOW_THREADS
    if (error) return raise_gaierror(state, error);
    PyObject *o = NULL;
    if (found->ai_next) PyErr_SetString(PyExc_OSError, "sockaddr resolved to multiple addresses");
    else if (found->ai_family == AF_INET && PyTuple_GET_SIZE(address) != 2) PyErr_SetString(PyExc_OSError, "IPv4 sockaddr must be 2 tuple");
    else {
        if (found->ai_family == AF_INET6) {
            ((struct sockaddr_in6 *)found->ai_addr)->sin6_flowinfo = htonl(flow);
            ((struct sockaddr_in6 *)found->ai_addr)->sin6_scope_id = scope;
        }
        Py_BEGIN_ALLOW_THREADS
        error = getnameinfo(found->ai_addr, found->ai_addrlen, host_text, sizeof host_text, service_text, sizeof service_text, flags);
        Py_END_ALLOW_THREADS
        o = error ? raise_gaierror(state, error) : Py_BuildValue("(ss)", host_text, service_text);
    }
    freeaddrinfo(found);
    return o;
}

BUILTIN_NOARGS(sockets, getdefaulttimeout, "($module, /)", "Returns the default timeout in seconds (float) for new socket objects; None for no timeout.")
{
    int64_t timeout = socket_state(self)->default_timeout;
    return timeout < 0 ? Py_NewRef(Py_None) : PyFloat_FromDouble((double)timeout / 1e9);
}

BUILTIN_O(sockets, setdefaulttimeout, "(timeout)", "Set the default timeout in seconds (float) for new socket objects; None for no timeout.")
{
    int64_t timeout;
    if (timeout_argument(arg, &timeout) < 0) return NULL;
    socket_state(self)->default_timeout = timeout;
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(sockets, if_nameindex, "()", "Returns a list of network interface information (index, name) tuples.")
{
    struct if_nameindex *all = if_nameindex();
    if (!all) return os_error();
    PyObject *list = PyList_New(0);
    for (struct if_nameindex *i = all; list && i->if_index; i++) {
        PyObject *item = Py_BuildValue("(Is)", i->if_index, i->if_name);
        if (!item || PyList_Append(list, item) < 0) Py_CLEAR(list);
        Py_XDECREF(item);
    }
    if_freenameindex(all);
    return list;
}

BUILTIN_O(sockets, if_nametoindex, "($module, oname, /)", "Returns the interface index corresponding to the interface name if_name.")
{
    PyObject *name = NULL;
    if (!PyUnicode_FSConverter(arg, &name)) return NULL;
    unsigned index = if_nametoindex(PyBytes_AS_STRING(name));
    Py_DECREF(name);
    if (index) return PyLong_FromUnsignedLong(index);
    return os_error();
}

BUILTIN_O(sockets, if_indextoname, "(if_index)", "Returns the interface name corresponding to the interface index if_index.")
{
    char name[IF_NAMESIZE + 1];
    unsigned long index = PyLong_AsUnsignedLong(arg);
    if (index == (unsigned long)-1 && PyErr_Occurred()) return NULL;
    if (index > UINT_MAX) return PyErr_Format(PyExc_OverflowError, "Python int too large for C int");
    return if_indextoname((unsigned)index, name) ? PyUnicode_DecodeFSDefault(name) : os_error();
}

static PyObject *ancillary_size(PyObject *value, bool space)
{
    Py_ssize_t n = PyNumber_AsSsize_t(value, PyExc_OverflowError);
    if (n == -1 && PyErr_Occurred()) return NULL;
    if (n < 0 || (size_t)n > (space ? INT_MAX - CMSG_SPACE(1) : INT_MAX - CMSG_LEN(0))) return PyErr_Format(PyExc_OverflowError, space ? "CMSG_SPACE() argument out of range" : "CMSG_LEN() argument out of range");
    return PyLong_FromSize_t(space ? CMSG_SPACE((size_t)n) : CMSG_LEN((size_t)n));
}

static PyObject *sockets_cmsg_len(PyObject *self, PyObject *arg) { return ancillary_size(arg, false); }
static PyObject *sockets_cmsg_space(PyObject *self, PyObject *arg) { return ancillary_size(arg, true); }

PyMethodDef socket_name_methods[] = {
    METHOD(sockets, gethostname), METHOD_BARE(sockets, sethostname), METHOD_BARE(sockets, gethostbyname), METHOD_BARE(sockets, gethostbyname_ex),
    METHOD_BARE(sockets, gethostbyaddr), METHOD(sockets, close), METHOD(sockets, dup), METHOD(sockets, htons), METHOD(sockets, ntohs),
    METHOD(sockets, htonl), METHOD(sockets, ntohl), METHOD(sockets, inet_aton), METHOD(sockets, inet_ntoa), METHOD(sockets, getdefaulttimeout),
    METHOD(sockets, setdefaulttimeout), METHOD(sockets, if_nameindex), METHOD(sockets, if_nametoindex), METHOD(sockets, if_indextoname),
    { "getservbyname", sockets_getservbyname, METH_VARARGS, "getservbyname(servicename[, protocolname]) -> integer\n\nReturn a port number from a service name and protocol name." },
    { "getservbyport", sockets_getservbyport, METH_VARARGS, "getservbyport(port[, protocolname]) -> string\n\nReturn the service name from a port number and protocol name." },
    { "getprotobyname", sockets_getprotobyname, METH_VARARGS, "getprotobyname(name) -> integer\n\nReturn the protocol number for the named protocol." },
    { "socketpair", sockets_socketpair, METH_VARARGS, "socketpair([family[, type [, proto]]]) -> (socket object, socket object)\n\nCreate a pair of sockets." },
    { "inet_pton", sockets_inet_pton, METH_VARARGS, "inet_pton(af, ip) -> packed IP address string\n\nConvert an IP address from string format to a packed string." },
    { "inet_ntop", sockets_inet_ntop, METH_VARARGS, "inet_ntop(af, packed_ip) -> string formatted IP address\n\nConvert a packed IP address to string format." },
    { "getaddrinfo", (PyCFunction)(void (*)(void))sockets_getaddrinfo, METH_VARARGS | METH_KEYWORDS,
      "getaddrinfo(host, port [, family, type, proto, flags])\n    -> list of (family, type, proto, canonname, sockaddr)\n\nResolve host and port into addrinfo struct." },
    { "getnameinfo", sockets_getnameinfo, METH_VARARGS, "getnameinfo(sockaddr, flags) --> (host, port)\n\nGet host and port for a sockaddr." },
    { "CMSG_LEN", sockets_cmsg_len, METH_O | METH_BARE_NAME, "CMSG_LEN(length) -> control message length\n\nLength of an ancillary item with that much data, without padding." },
    { "CMSG_SPACE", sockets_cmsg_space, METH_O | METH_BARE_NAME, "CMSG_SPACE(length) -> buffer size\n\nRoom that an ancillary item with that much data takes." },
    { 0 }
};
