/* The termios module: POSIX style terminal control. Attributes are [iflag, oflag, cflag, lflag, ispeed, ospeed, cc]. */
#include "capi/args.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

typedef struct TermiosState { PyObject *error; } TermiosState;

static PyObject *termios_error(PyObject *module)
{
    TermiosState *state = PyModule_GetState(module);
    return PyErr_SetFromErrno(state->error);
}

static int int_of(PyObject *value, int *result) { return (*result = PyLong_AsInt(value)) == -1 && PyErr_Occurred() ? -1 : 0; }

#define CALL_OR_ERROR(call)                                                                                             \
    do {                                                                                                                \
        int result_;                                                                                                    \
        Py_BEGIN_ALLOW_THREADS                                                                                          \
        result_ = call;                                                                                                 \
        Py_END_ALLOW_THREADS                                                                                            \
        if (result_ < 0) return termios_error(self);                                                                    \
    } while (0)

BUILTIN_O(termios, tcgetattr, "($module, fd, /)", "Get the tty attributes for file descriptor fd.")
{
    struct termios mode;
    int fd = PyObject_AsFileDescriptor(arg);
    if (fd < 0) return NULL;
    CALL_OR_ERROR(tcgetattr(fd, &mode));
    PyObject *cc = PyList_New(NCCS);
    if (!cc) return NULL;
    for (int i = 0; i < NCCS; i++) {
        bool number = !(mode.c_lflag & ICANON) && (i == VMIN || i == VTIME);
        char c = (char)mode.c_cc[i];
        PyObject *item = number ? PyLong_FromLong(mode.c_cc[i]) : PyBytes_FromStringAndSize(&c, 1);
        if (!item) {
            Py_DECREF(cc);
            return NULL;
        }
        PyList_SET_ITEM(cc, i, item);
    }
    return Py_BuildValue("[kkkkkkN]", (unsigned long)mode.c_iflag, (unsigned long)mode.c_oflag, (unsigned long)mode.c_cflag,
                         (unsigned long)mode.c_lflag, (unsigned long)cfgetispeed(&mode), (unsigned long)cfgetospeed(&mode), cc);
}

BUILTIN(termios, tcsetattr, POSITIONAL, "($module, fd, when, attributes, /)",
        "Set the tty attributes for file descriptor fd, at once (TCSANOW) or after output was sent (TCSADRAIN, TCSAFLUSH).")
{
    struct termios mode;
    unsigned long value[6];
    int when, fd = PyObject_AsFileDescriptor(arg[0]);
    if (fd < 0 || int_of(arg[1], &when) < 0) return NULL;
    if (!PyList_Check(arg[2]) || PyList_GET_SIZE(arg[2]) != 7)
        return PyErr_Format(PyExc_TypeError, "tcsetattr, arg 3: must be 7 element list");
    CALL_OR_ERROR(tcgetattr(fd, &mode));
    for (int i = 0; i < 6; i++) {
        PyObject *item = PyList_GetItem(arg[2], i);
        value[i] = item ? (unsigned long)PyLong_AsLong(item) : 0;
        if (PyErr_Occurred()) return NULL;
    }
    mode.c_iflag = (tcflag_t)value[0];
    mode.c_oflag = (tcflag_t)value[1];
    mode.c_cflag = (tcflag_t)value[2];
    mode.c_lflag = (tcflag_t)value[3];
    PyObject *cc = PyList_GetItem(arg[2], 6);
    if (!cc) return NULL;
    if (!PyList_Check(cc) || PyList_GET_SIZE(cc) != NCCS)
        return PyErr_Format(PyExc_TypeError, "tcsetattr: attributes[6] must be %d element list", NCCS);
    for (int i = 0; i < NCCS; i++) {
        PyObject *item = PyList_GetItem(cc, i);
        if (item && PyBytes_Check(item) && PyBytes_GET_SIZE(item) == 1) mode.c_cc[i] = (cc_t)*PyBytes_AS_STRING(item);
        else if (item && PyLong_Check(item)) {
            long n = PyLong_AsLong(item);
            if (n == -1 && PyErr_Occurred()) return NULL;
            if ((cc_t)n != n) return PyErr_Format(PyExc_OverflowError, "integer %R does not fit into the attribute", item);
            mode.c_cc[i] = (cc_t)n;
        }
        else return PyErr_Format(PyExc_TypeError, "tcsetattr: elements of attributes must be characters or integers");
    }
    if (cfsetispeed(&mode, (speed_t)value[4]) < 0 || cfsetospeed(&mode, (speed_t)value[5]) < 0) return termios_error(self);
    CALL_OR_ERROR(tcsetattr(fd, when, &mode));
    Py_RETURN_NONE;
}

BUILTIN(termios, tcsendbreak, POSITIONAL, "($module, fd, duration, /)", "Send a break on file descriptor fd.")
{
    int duration, fd = PyObject_AsFileDescriptor(arg[0]);
    if (fd < 0 || int_of(arg[1], &duration) < 0) return NULL;
    CALL_OR_ERROR(tcsendbreak(fd, duration));
    Py_RETURN_NONE;
}

BUILTIN_O(termios, tcdrain, "($module, fd, /)", "Wait until all output written to file descriptor fd has been transmitted.")
{
    int fd = PyObject_AsFileDescriptor(arg);
    if (fd < 0) return NULL;
    CALL_OR_ERROR(tcdrain(fd));
    Py_RETURN_NONE;
}

BUILTIN(termios, tcflush, POSITIONAL, "($module, fd, queue, /)", "Discard queued data on file descriptor fd.")
{
    int queue, fd = PyObject_AsFileDescriptor(arg[0]);
    if (fd < 0 || int_of(arg[1], &queue) < 0) return NULL;
    CALL_OR_ERROR(tcflush(fd, queue));
    Py_RETURN_NONE;
}

BUILTIN(termios, tcflow, POSITIONAL, "($module, fd, action, /)", "Suspend or resume input or output on file descriptor fd.")
{
    int action, fd = PyObject_AsFileDescriptor(arg[0]);
    if (fd < 0 || int_of(arg[1], &action) < 0) return NULL;
    CALL_OR_ERROR(tcflow(fd, action));
    Py_RETURN_NONE;
}

BUILTIN_O(termios, tcgetwinsize, "($module, fd, /)", "Get the tty winsize for file descriptor fd: a tuple (ws_row, ws_col).")
{
    struct winsize size;
    int fd = PyObject_AsFileDescriptor(arg);
    if (fd < 0) return NULL;
    CALL_OR_ERROR(ioctl(fd, TIOCGWINSZ, &size));
    return Py_BuildValue("(ii)", (int)size.ws_row, (int)size.ws_col);
}

BUILTIN(termios, tcsetwinsize, POSITIONAL, "($module, fd, winsize, /)", "Set the tty winsize for file descriptor fd to a tuple (ws_row, ws_col).")
{
    struct winsize size;
    int fd = PyObject_AsFileDescriptor(arg[0]);
    long value[2];
    if (fd < 0) return NULL;
    if (!PySequence_Check(arg[1]) || PySequence_Size(arg[1]) != 2) {
        PyErr_SetString(PyExc_TypeError, "tcsetwinsize, arg 2: must be a two-item sequence");
        return NULL;
    }
    for (int i = 0; i < 2; i++) {
        PyObject *item = PySequence_GetItem(arg[1], i);
        value[i] = item ? PyLong_AsLong(item) : -1;
        Py_XDECREF(item);
        if (value[i] == -1 && PyErr_Occurred()) return NULL;
    }
    CALL_OR_ERROR(ioctl(fd, TIOCGWINSZ, &size));
    size.ws_row = (unsigned short)value[0];
    size.ws_col = (unsigned short)value[1];
    if (size.ws_row != value[0] || size.ws_col != value[1]) {
        PyErr_SetString(PyExc_OverflowError, "winsize value(s) out of range.");
        return NULL;
    }
    CALL_OR_ERROR(ioctl(fd, TIOCSWINSZ, &size));
    Py_RETURN_NONE;
}

static PyMethodDef termios_methods[] = {
    METHOD(termios, tcgetattr), METHOD(termios, tcsetattr), METHOD(termios, tcsendbreak), METHOD(termios, tcdrain),
    METHOD(termios, tcflush), METHOD(termios, tcflow), METHOD(termios, tcgetwinsize), METHOD(termios, tcsetwinsize), { 0 }
};

static const struct { const char *name; long value; } constants[] = {
    { "B0", B0 }, { "B1000000", B1000000 }, { "B110", B110 }, { "B115200", B115200 }, { "B1152000", B1152000 },
    { "B1200", B1200 }, { "B134", B134 }, { "B150", B150 }, { "B1500000", B1500000 }, { "B1800", B1800 },
    { "B19200", B19200 }, { "B200", B200 }, { "B2000000", B2000000 }, { "B230400", B230400 }, { "B2400", B2400 },
    { "B2500000", B2500000 }, { "B300", B300 }, { "B3000000", B3000000 }, { "B3500000", B3500000 }, { "B38400", B38400 },
    { "B4000000", B4000000 }, { "B460800", B460800 }, { "B4800", B4800 }, { "B50", B50 }, { "B500000", B500000 },
    { "B57600", B57600 }, { "B576000", B576000 }, { "B600", B600 }, { "B75", B75 }, { "B921600", B921600 },
    { "B9600", B9600 }, { "BRKINT", BRKINT }, { "BS0", BS0 }, { "BS1", BS1 }, { "BSDLY", BSDLY }, { "CBAUD", CBAUD },
    { "CBAUDEX", CBAUDEX }, { "CDSUSP", 25 }, { "CEOF", 4 }, { "CEOL", 0 }, { "CEOT", 4 }, { "CERASE", 127 },
    { "CFLUSH", 15 }, { "CIBAUD", CIBAUD }, { "CINTR", 3 }, { "CKILL", 21 }, { "CLNEXT", 22 }, { "CLOCAL", CLOCAL },
    { "CQUIT", 28 }, { "CR0", CR0 }, { "CR1", CR1 }, { "CR2", CR2 }, { "CR3", CR3 }, { "CRDLY", CRDLY }, { "CREAD", CREAD },
    { "CRPRNT", 18 }, { "CRTSCTS", CRTSCTS }, { "CS5", CS5 }, { "CS6", CS6 }, { "CS7", CS7 }, { "CS8", CS8 },
    { "CSIZE", CSIZE }, { "CSTART", 17 }, { "CSTOP", 19 }, { "CSTOPB", CSTOPB }, { "CSUSP", 26 }, { "CWERASE", 23 },
    { "ECHO", ECHO }, { "ECHOCTL", ECHOCTL }, { "ECHOE", ECHOE }, { "ECHOK", ECHOK }, { "ECHOKE", ECHOKE },
    { "ECHONL", ECHONL }, { "ECHOPRT", ECHOPRT }, { "EXTA", EXTA }, { "EXTB", EXTB }, { "EXTPROC", 65536 }, { "FF0", FF0 },
    { "FF1", FF1 }, { "FFDLY", FFDLY }, { "FIOASYNC", FIOASYNC }, { "FIOCLEX", FIOCLEX }, { "FIONBIO", FIONBIO },
    { "FIONCLEX", FIONCLEX }, { "FIONREAD", FIONREAD }, { "FLUSHO", FLUSHO }, { "HUPCL", HUPCL }, { "ICANON", ICANON },
    { "ICRNL", ICRNL }, { "IEXTEN", IEXTEN }, { "IGNBRK", IGNBRK }, { "IGNCR", IGNCR }, { "IGNPAR", IGNPAR },
    { "IMAXBEL", IMAXBEL }, { "INLCR", INLCR }, { "INPCK", INPCK }, { "IOCSIZE_MASK", 1073676288 }, { "IOCSIZE_SHIFT", 16 },
    { "ISIG", ISIG }, { "ISTRIP", ISTRIP }, { "IUCLC", IUCLC }, { "IUTF8", IUTF8 }, { "IXANY", IXANY }, { "IXOFF", IXOFF },
    { "IXON", IXON }, { "NCC", 8 }, { "NCCS", NCCS }, { "NL0", NL0 }, { "NL1", NL1 }, { "NLDLY", NLDLY },
    { "NOFLSH", NOFLSH }, { "N_MOUSE", 2 }, { "N_PPP", 3 }, { "N_SLIP", 1 }, { "N_STRIP", 4 }, { "N_TTY", 0 },
    { "OCRNL", OCRNL }, { "OFDEL", OFDEL }, { "OFILL", OFILL }, { "OLCUC", OLCUC }, { "ONLCR", ONLCR }, { "ONLRET", ONLRET },
    { "ONOCR", ONOCR }, { "OPOST", OPOST }, { "PARENB", PARENB }, { "PARMRK", PARMRK }, { "PARODD", PARODD },
    { "PENDIN", PENDIN }, { "TAB0", TAB0 }, { "TAB1", TAB1 }, { "TAB2", TAB2 }, { "TAB3", TAB3 }, { "TABDLY", TABDLY },
    { "TCFLSH", TCFLSH }, { "TCGETA", 21509 }, { "TCGETS", 21505 }, { "TCIFLUSH", TCIFLUSH }, { "TCIOFF", TCIOFF },
    { "TCIOFLUSH", TCIOFLUSH }, { "TCION", TCION }, { "TCOFLUSH", TCOFLUSH }, { "TCOOFF", TCOOFF }, { "TCOON", TCOON },
    { "TCSADRAIN", TCSADRAIN }, { "TCSAFLUSH", TCSAFLUSH }, { "TCSANOW", TCSANOW }, { "TCSBRK", TCSBRK },
    { "TCSBRKP", TCSBRKP }, { "TCSETA", 21510 }, { "TCSETAF", 21512 }, { "TCSETAW", 21511 }, { "TCSETS", 21506 },
    { "TCSETSF", 21508 }, { "TCSETSW", 21507 }, { "TCXONC", TCXONC }, { "TIOCCONS", TIOCCONS }, { "TIOCEXCL", TIOCEXCL },
    { "TIOCGETD", TIOCGETD }, { "TIOCGICOUNT", 21597 }, { "TIOCGLCKTRMIOS", 21590 }, { "TIOCGPGRP", TIOCGPGRP },
    { "TIOCGSERIAL", 21534 }, { "TIOCGSOFTCAR", TIOCGSOFTCAR }, { "TIOCGWINSZ", TIOCGWINSZ }, { "TIOCINQ", TIOCINQ },
    { "TIOCLINUX", 21532 }, { "TIOCMBIC", TIOCMBIC }, { "TIOCMBIS", TIOCMBIS }, { "TIOCMGET", TIOCMGET },
    { "TIOCMIWAIT", 21596 }, { "TIOCMSET", TIOCMSET }, { "TIOCM_CAR", TIOCM_CAR }, { "TIOCM_CD", TIOCM_CD },
    { "TIOCM_CTS", TIOCM_CTS }, { "TIOCM_DSR", TIOCM_DSR }, { "TIOCM_DTR", TIOCM_DTR }, { "TIOCM_LE", 1 },
    { "TIOCM_RI", TIOCM_RI }, { "TIOCM_RNG", TIOCM_RNG }, { "TIOCM_RTS", TIOCM_RTS }, { "TIOCM_SR", TIOCM_SR },
    { "TIOCM_ST", TIOCM_ST }, { "TIOCNOTTY", TIOCNOTTY }, { "TIOCNXCL", TIOCNXCL }, { "TIOCOUTQ", TIOCOUTQ },
    { "TIOCPKT", TIOCPKT }, { "TIOCPKT_DATA", TIOCPKT_DATA }, { "TIOCPKT_DOSTOP", TIOCPKT_DOSTOP },
    { "TIOCPKT_FLUSHREAD", TIOCPKT_FLUSHREAD }, { "TIOCPKT_FLUSHWRITE", TIOCPKT_FLUSHWRITE },
    { "TIOCPKT_NOSTOP", TIOCPKT_NOSTOP }, { "TIOCPKT_START", TIOCPKT_START }, { "TIOCPKT_STOP", TIOCPKT_STOP },
    { "TIOCSCTTY", TIOCSCTTY }, { "TIOCSERCONFIG", 21587 }, { "TIOCSERGETLSR", 21593 }, { "TIOCSERGETMULTI", 21594 },
    { "TIOCSERGSTRUCT", 21592 }, { "TIOCSERGWILD", 21588 }, { "TIOCSERSETMULTI", 21595 }, { "TIOCSERSWILD", 21589 },
    { "TIOCSER_TEMT", 1 }, { "TIOCSETD", TIOCSETD }, { "TIOCSLCKTRMIOS", 21591 }, { "TIOCSPGRP", TIOCSPGRP },
    { "TIOCSSERIAL", 21535 }, { "TIOCSSOFTCAR", TIOCSSOFTCAR }, { "TIOCSTI", TIOCSTI }, { "TIOCSWINSZ", TIOCSWINSZ },
    { "TOSTOP", TOSTOP }, { "VDISCARD", VDISCARD }, { "VEOF", VEOF }, { "VEOL", VEOL }, { "VEOL2", VEOL2 },
    { "VERASE", VERASE }, { "VINTR", VINTR }, { "VKILL", VKILL }, { "VLNEXT", VLNEXT }, { "VMIN", VMIN }, { "VQUIT", VQUIT },
    { "VREPRINT", VREPRINT }, { "VSTART", VSTART }, { "VSTOP", VSTOP }, { "VSUSP", VSUSP }, { "VSWTC", VSWTC },
    { "VSWTCH", 7 }, { "VT0", VT0 }, { "VT1", VT1 }, { "VTDLY", VTDLY }, { "VTIME", VTIME }, { "VWERASE", VWERASE },
    { "XCASE", 4 }, { "XTABS", XTABS }, { "_POSIX_VDISABLE", 0 },
};

static int termios_exec(PyObject *module)
{
    TermiosState *state = PyModule_GetState(module);
    if (!(state->error = PyErr_NewException("termios.error", NULL, NULL)) || PyModule_AddObjectRef(module, "error", state->error) < 0) return -1;
    for (size_t i = 0; i < ARRAY_LENGTH(constants); i++)
        if (PyModule_AddIntConstant(module, constants[i].name, constants[i].value) < 0) return -1;
    return 0;
}

static int termios_traverse(PyObject *module, visitproc visit, void *arg)
{
    Py_VISIT(((TermiosState *)PyModule_GetState(module))->error);
    return 0;
}

static int termios_clear(PyObject *module)
{
    Py_CLEAR(((TermiosState *)PyModule_GetState(module))->error);
    return 0;
}

static void termios_free(void *module) { termios_clear(module); }

static PyModuleDef_Slot termios_slots[] = {
    { Py_mod_exec, termios_exec }, { Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED }, { 0 }
};
static struct PyModuleDef termios_definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "termios",
    .m_doc = "An interface to the POSIX calls for tty I/O control.",
    .m_size = sizeof(TermiosState),
    .m_methods = termios_methods,
    .m_slots = termios_slots,
    .m_traverse = termios_traverse,
    .m_clear = termios_clear,
    .m_free = termios_free,
};
PyMODINIT_FUNC PyInit_termios(void) { return PyModuleDef_Init(&termios_definition); }
