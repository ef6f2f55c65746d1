/* Audit hooks: C hooks of the process, Python hooks of an interpreter. With none installed an event costs two loads. */
#include "runtime/state.h"
#include "runtime/runtime_private.h"

#include <stdarg.h>
#include <stdlib.h>

#define P (&_PyRuntime.runtime)

bool audit_wanted(void)
{
    Thread *t = thread_current;
    return t && (P->audit_hooks || t->ts.interp->runtime.audit_hooks);
}

static int hook_call(PyThreadState *ts, PyObject *hook, PyObject *event, PyObject *args)
{
    PyObject *trace = NULL;
    if (PyObject_GetOptionalAttr(hook, STR(__cantrace__), &trace) < 0) return -1;
    int can_trace = trace ? PyObject_IsTrue(trace) : 0;
    Py_XDECREF(trace);
    if (can_trace < 0) return -1;
    if (can_trace) PyThreadState_LeaveTracing(ts);
    PyObject *argument[2] = { event, args };
    PyObject *result = PyObject_Vectorcall(hook, argument, 2, NULL);
    if (can_trace) PyThreadState_EnterTracing(ts);
    Py_XDECREF(result);
    return result ? 0 : -1;
}

/* args: a tuple. Keeps an exception that was set before, when no hook raises. */
static int audit_run(PyThreadState *ts, const char *event, PyObject *args)
{
    PyObject *saved = PyErr_GetRaisedException();
    int status = 0;
    for (AuditHook *hook = P->audit_hooks; hook; hook = hook->next)
        if (hook->function(event, args, hook->data) < 0) { status = -1; goto done; }
    PyObject *list = ts->interp->runtime.audit_hooks;
    if (list) {
        PyObject *name = PyUnicode_FromString(event), *hooks = name ? PyObject_GetIter(list) : NULL, *hook;
        if (!hooks) status = -1;
        PyThreadState_EnterTracing(ts);
        while (!status && (hook = PyIter_Next(hooks))) {
            status = hook_call(ts, hook, name, args);
            Py_DECREF(hook);
        }
        PyThreadState_LeaveTracing(ts);
        if (!status && PyErr_Occurred()) status = -1;
        Py_XDECREF(hooks);
        Py_XDECREF(name);
    }
done:
    if (status == 0) PyErr_SetRaisedException(saved);
    else Py_XDECREF(saved);
    return status;
}

int PySys_Audit(const char *event, const char *format, ...)
{
    if (LIKELY(!audit_wanted())) return 0;
    PyObject *args;
    if (format && *format) {
        va_list list;
        va_start(list, format);
        PyObject *saved = PyErr_GetRaisedException();
        args = Py_VaBuildValue(format, list);
        va_end(list);
        if (args && !PyTuple_Check(args)) Py_SETREF(args, PyTuple_Pack(1, args));
        if (args) PyErr_SetRaisedException(saved);
        else Py_XDECREF(saved);
    }
    else args = PyTuple_New(0);
    if (!args) return -1;
    int status = audit_run(PyThreadState_Get(), event, args);
    Py_DECREF(args);
    return status;
}

int PySys_AuditTuple(const char *event, PyObject *args)
{
    if (!audit_wanted()) return 0;
    if (args && !PyTuple_Check(args)) {
        PyErr_Format(PyExc_TypeError, "expected tuple, got %.200s", Py_TYPE(args)->tp_name);
        return -1;
    }
    return audit_run(PyThreadState_Get(), event, args ? args : EMPTY_TUPLE);
}

int PySys_AddAuditHook(Py_AuditHookFunction function, void *data)
{
    process_init();
    if (P->initialized && thread_current && PySys_Audit("sys.addaudithook", NULL) < 0) {
        if (!PyErr_ExceptionMatches(PyExc_RuntimeError)) return -1;
        PyErr_Clear();                      /* the hook refused: that is not an error of the caller */
        return 0;
    }
    AuditHook *hook = malloc(sizeof *hook), **end = &P->audit_hooks;
    if (!hook) {
        if (P->initialized && thread_current) PyErr_NoMemory();
        return -1;
    }
    *hook = (AuditHook){ NULL, function, data };
    while (*end) end = &(*end)->next;
    *end = hook;
    return 0;
}
