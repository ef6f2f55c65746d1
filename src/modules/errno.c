/* errno: the numbers of system errors, and their names by number. */
#include "taipan.h"

#include <errno.h>

/* Second names of a number come first, so that errorcode keeps the usual one. */
static const struct { const char *name; int value; } errno_table[] = {
#define E(name) {#name, name},
    E(EDEADLK) E(EOPNOTSUPP) E(EWOULDBLOCK) E(E2BIG) E(EACCES) E(EADDRINUSE) E(EADDRNOTAVAIL) E(EADV) E(EAFNOSUPPORT)
    E(EAGAIN) E(EALREADY) E(EBADE) E(EBADF) E(EBADFD) E(EBADMSG) E(EBADR) E(EBADRQC) E(EBADSLT) E(EBFONT) E(EBUSY)
    E(ECANCELED) E(ECHILD) E(ECHRNG) E(ECOMM) E(ECONNABORTED) E(ECONNREFUSED) E(ECONNRESET) E(EDEADLOCK) E(EDESTADDRREQ)
    E(EDOM) E(EDOTDOT) E(EDQUOT) E(EEXIST) E(EFAULT) E(EFBIG) E(EHOSTDOWN) E(EHOSTUNREACH) E(EIDRM) E(EILSEQ)
    E(EINPROGRESS) E(EINTR) E(EINVAL) E(EIO) E(EISCONN) E(EISDIR) E(EISNAM) E(EKEYEXPIRED) E(EKEYREJECTED)
    E(EKEYREVOKED) E(EL2HLT) E(EL2NSYNC) E(EL3HLT) E(EL3RST) E(ELIBACC) E(ELIBBAD) E(ELIBEXEC) E(ELIBMAX) E(ELIBSCN)
    E(ELNRNG) E(ELOOP) E(EMEDIUMTYPE) E(EMFILE) E(EMLINK) E(EMSGSIZE) E(EMULTIHOP) E(ENAMETOOLONG) E(ENAVAIL)
    E(ENETDOWN) E(ENETRESET) E(ENETUNREACH) E(ENFILE) E(ENOANO) E(ENOBUFS) E(ENOCSI) E(ENODATA) E(ENODEV) E(ENOENT)
    E(ENOEXEC) E(ENOKEY) E(ENOLCK) E(ENOLINK) E(ENOMEDIUM) E(ENOMEM) E(ENOMSG) E(ENONET) E(ENOPKG) E(ENOPROTOOPT)
    E(ENOSPC) E(ENOSR) E(ENOSTR) E(ENOSYS) E(ENOTBLK) E(ENOTCONN) E(ENOTDIR) E(ENOTEMPTY) E(ENOTNAM) E(ENOTRECOVERABLE)
    E(ENOTSOCK) E(ENOTSUP) E(ENOTTY) E(ENOTUNIQ) E(ENXIO) E(EOVERFLOW) E(EOWNERDEAD) E(EPERM) E(EPFNOSUPPORT) E(EPIPE)
    E(EPROTO) E(EPROTONOSUPPORT) E(EPROTOTYPE) E(ERANGE) E(EREMCHG) E(EREMOTE) E(EREMOTEIO) E(ERESTART) E(ERFKILL)
    E(EROFS) E(ESHUTDOWN) E(ESOCKTNOSUPPORT) E(ESPIPE) E(ESRCH) E(ESRMNT) E(ESTALE) E(ESTRPIPE) E(ETIME) E(ETIMEDOUT)
    E(ETOOMANYREFS) E(ETXTBSY) E(EUCLEAN) E(EUNATCH) E(EUSERS) E(EXDEV) E(EXFULL)
#undef E
};

static int errno_exec(PyObject *module)
{
    PyObject *codes = PyDict_New();
    int status = PyModule_AddObjectRef(module, "errorcode", codes);
    for (size_t i = 0; !status && i < sizeof errno_table / sizeof *errno_table; i++) {
        PyObject *name = PyUnicode_InternFromString(errno_table[i].name), *value = PyLong_FromLong(errno_table[i].value);
        if (!name || !value || PyObject_SetAttr(module, name, value) < 0 || PyDict_SetItem(codes, value, name) < 0) status = -1;
        Py_XDECREF(name);
        Py_XDECREF(value);
    }
    Py_XDECREF(codes);
    return status;
}

static PyModuleDef_Slot errno_slots[] = {
    {Py_mod_exec, (void *)errno_exec}, {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED}, {0, NULL}
};

static PyModuleDef errno_module = {
    PyModuleDef_HEAD_INIT, .m_name = "errno",
    .m_doc = "The system's error numbers by name (errno.ENOENT); errno.errorcode has the names by number.\n"
             "Messages come from os.strerror().",
    .m_size = 0, .m_slots = errno_slots,
};

PyMODINIT_FUNC PyInit_errno(void) { return PyModuleDef_Init(&errno_module); }
