/* The syslog module. The C library keeps the one connection of the process and the pointer to its ident, so only the main interpreter
 * may open or close it. */
#include "runtime/state.h"
#include "capi/args.h"
#include "modules/support.h"

#include <syslog.h>

typedef struct SyslogState {
    PyObject *ident;                     /* of the main interpreter: whose text openlog() has been given */
} SyslogState;

#define IS_OPEN _PyRuntime.runtime.syslog_open

static bool in_main_interpreter(void) { return PyInterpreterState_Get() == PyInterpreterState_Main(); }

/* The last part of sys.argv[0]; NULL without exception when there is none. */
static PyObject *program_name(void)
{
    PyObject *argv = PySys_GetObject("argv");
    if (!argv || !PyList_Check(argv) || PyList_GET_SIZE(argv) == 0) return NULL;
    PyObject *script = PyList_GET_ITEM(argv, 0);
    if (!PyUnicode_Check(script) || PyUnicode_GET_LENGTH(script) == 0) return NULL;
    Py_ssize_t length = PyUnicode_GET_LENGTH(script), slash = PyUnicode_FindChar(script, '/', 0, length, -1);
    if (slash == -2) return NULL;
    return slash >= 0 ? PyUnicode_Substring(script, slash + 1, length) : Py_NewRef(script);
}

/* ident NULL: by the program. */
static int open_log(SyslogState *s, PyObject *ident, long options, long facility)
{
    ident = ident && ident != Py_None ? Py_NewRef(ident) : program_name();
    if (!ident && PyErr_Occurred()) return -1;
    const char *text = ident ? PyUnicode_AsUTF8(ident) : NULL;
    if (ident && !text) {
        Py_DECREF(ident);
        return -1;
    }
    if (PySys_Audit("syslog.openlog", "Oll", ident ? ident : Py_None, options, facility) < 0) {
        Py_XDECREF(ident);
        return -1;
    }
    openlog(text, (int)options, (int)facility);
    IS_OPEN = true;
    SET_FIELD(s->ident, ident);
    return 0;
}

static int long_argument(PyObject *o, long otherwise, long *value)
{
    *value = o ? PyLong_AsLong(o) : otherwise;
    return *value == -1 && PyErr_Occurred() ? -1 : 0;
}

BUILTIN(syslog, openlog, KEYWORDS, "($module, /, ident=<unrepresentable>, logoption=0,\n        facility=LOG_USER)", "Set options of the calls of syslog().")
{
    long options, facility;
    if (arg[0] && !PyUnicode_Check(arg[0]))
        return PyErr_Format(PyExc_TypeError, "openlog() argument 'ident' must be str, not %.50s", arg[0] == Py_None ? "None" : Py_TYPE(arg[0])->tp_name);
    if (long_argument(arg[1], 0, &options) < 0 || long_argument(arg[2], LOG_USER, &facility) < 0) return NULL;
    if (!in_main_interpreter()) return PyErr_Format(PyExc_RuntimeError, "subinterpreter can't use syslog.openlog()");
    if (open_log(PyModule_GetState(self), arg[0], options, facility) < 0) return NULL;
    Py_RETURN_NONE;
}

static PyObject *syslog_syslog(PyObject *self, PyObject *args)
{
    int priority = LOG_INFO;
    const char *message;
    SyslogState *s = PyModule_GetState(self);
    if (PyTuple_GET_SIZE(args) == 1 ? !PyArg_ParseTuple(args, "s:syslog", &message)
        : PyTuple_GET_SIZE(args) == 2 ? !PyArg_ParseTuple(args, "is:syslog", &priority, &message) : true) {
        if (!PyErr_Occurred()) PyErr_SetString(PyExc_TypeError, "syslog.syslog requires 1 to 2 arguments");
        return NULL;
    }
    if (PySys_Audit("syslog.syslog", "is", priority, message) < 0) return NULL;
    if (!IS_OPEN) {
        if (!in_main_interpreter())
            return PyErr_Format(PyExc_RuntimeError, "subinterpreter can't use syslog.syslog() until the syslog is opened by the main interpreter");
        if (open_log(s, NULL, 0, LOG_USER) < 0) return NULL;
    }
    PyObject *ident = Py_XNewRef(s->ident);                  /* another thread may open the log anew meanwhile */
    Py_BEGIN_ALLOW_THREADS
    syslog(priority, "%s", message);
    Py_END_ALLOW_THREADS
    Py_XDECREF(ident);
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(syslog, closelog, "($module, /)", "Forget the options and close the log.")
{
    SyslogState *s = PyModule_GetState(self);
    if (!in_main_interpreter()) return PyErr_Format(PyExc_RuntimeError, "subinterpreter can't use syslog.closelog()");
    if (PySys_Audit("syslog.closelog", NULL) < 0) return NULL;
    if (IS_OPEN) {
        closelog();
        Py_CLEAR(s->ident);
        IS_OPEN = false;
    }
    Py_RETURN_NONE;
}

BUILTIN_O(syslog, setlogmask, "($module, maskpri, /)", "Set the mask of priorities; the previous one.")
{
    long mask = PyLong_AsLong(arg);
    if (mask == -1 && PyErr_Occurred()) return NULL;
    if (PySys_Audit("syslog.setlogmask", "l", mask) < 0) return NULL;
    return PyLong_FromLong(setlogmask((int)mask));
}

BUILTIN_O(syslog, LOG_MASK, "($module, pri, /)", "The mask of one priority.")
{
    long priority = PyLong_AsLong(arg);
    return priority == -1 && PyErr_Occurred() ? NULL : PyLong_FromLong(1L << (priority & 31));
}

BUILTIN_O(syslog, LOG_UPTO, "($module, pri, /)", "The mask of all priorities up to one.")
{
    long priority = PyLong_AsLong(arg);
    return priority == -1 && PyErr_Occurred() ? NULL : PyLong_FromLong((1L << ((priority + 1) & 31)) - 1);
}

static PyMethodDef syslog_methods[] = {
    METHOD(syslog, openlog), METHOD(syslog, closelog),
    { "syslog", syslog_syslog, METH_VARARGS, PyDoc_STR("syslog([priority=LOG_INFO,] message)\nSend a message to the system's log.") },
    METHOD(syslog, setlogmask), METHOD(syslog, LOG_MASK), METHOD(syslog, LOG_UPTO), {0},
};

static const struct { const char *name; int value; } constants[] = {
#define C(name) { "LOG_" #name, LOG_##name }
    C(EMERG), C(ALERT), C(CRIT), C(ERR), C(WARNING), C(NOTICE), C(INFO), C(DEBUG), C(PID), C(CONS), C(NDELAY), C(ODELAY), C(NOWAIT), C(PERROR),
    C(KERN), C(USER), C(MAIL), C(DAEMON), C(AUTH), C(LPR), C(LOCAL0), C(LOCAL1), C(LOCAL2), C(LOCAL3), C(LOCAL4), C(LOCAL5), C(LOCAL6),
    C(LOCAL7), C(SYSLOG), C(CRON), C(UUCP), C(NEWS), C(AUTHPRIV), C(FTP),
#undef C
};

static int syslog_exec(PyObject *module)
{
    for (size_t i = 0; i < ARRAY_LENGTH(constants); i++)
        if (PyModule_AddIntConstant(module, constants[i].name, constants[i].value) < 0) return -1;
    return 0;
}

static int syslog_clear(PyObject *module)
{
    SyslogState *s = PyModule_GetState(module);
    if (s->ident) {                                          /* the C library points into it */
        closelog();
        IS_OPEN = false;
    }
    Py_CLEAR(s->ident);
    return 0;
}

static void syslog_free(void *module) { syslog_clear(module); }

static PyModuleDef_Slot syslog_slots[] = { SLOT(mod_exec, syslog_exec), MODULE_SLOTS_COMMON, {0} };
static struct PyModuleDef syslog_module = {
    PyModuleDef_HEAD_INIT, .m_name = "syslog", .m_size = sizeof(SyslogState), .m_methods = syslog_methods, .m_slots = syslog_slots,
    .m_clear = syslog_clear, .m_free = syslog_free,
};

PyMODINIT_FUNC PyInit_syslog(void) { return PyModuleDef_Init(&syslog_module); }
