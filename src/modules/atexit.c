/* atexit: functions to call when the interpreter ends, last registered first. A list per interpreter that stays consistent
 * while callbacks register and unregister. */
#include "runtime/state.h"
#include "runtime/runtime_private.h"
#include "capi/args.h"

#include <stdlib.h>

static void entry_clear(AtExitEntry *entry)
{
    AtExitEntry old = *entry;
    *entry = (AtExitEntry){ 0 };
    Py_XDECREF(old.function);
    Py_XDECREF(old.args);
    Py_XDECREF(old.kwargs);
}

static void entries_clear(RuntimeState *r)
{
    for (Py_ssize_t i = 0; i < r->atexit_count; i++) entry_clear(&r->atexit_entries[i]);
    r->atexit_count = 0;
}

void atexit_run(PyInterpreterState *interp)
{
    RuntimeState *r = &interp->runtime;
    AtExitCall *calls = r->atexit_calls;
    r->atexit_calls = NULL;
    while (calls) {
        AtExitCall *call = calls;
        calls = call->next;
        call->function(call->data);
        free(call);
    }
    while (r->atexit_count > 0) {
        AtExitEntry entry = r->atexit_entries[--r->atexit_count];
        if (!entry.function) continue;
        PyObject *result = PyObject_Call(entry.function, entry.args, entry.kwargs);
        if (!result) PyErr_FormatUnraisable("Exception ignored in atexit callback %R", entry.function);
        Py_XDECREF(result);
        Py_DECREF(entry.function);
        Py_DECREF(entry.args);
        Py_XDECREF(entry.kwargs);
    }
}

int PyUnstable_AtExit(PyInterpreterState *interp, atexit_datacallbackfunc function, void *data)
{
    AtExitCall *call = malloc(sizeof *call);
    if (!call) {
        PyErr_NoMemory();
        return -1;
    }
    *call = (AtExitCall){ interp->runtime.atexit_calls, function, data };
    interp->runtime.atexit_calls = call;
    return 0;
}

static PyObject *atexit_register(PyObject *Py_UNUSED(self), PyObject *args, PyObject *kwargs)
{
    RuntimeState *r = &interp_get()->runtime;
    if (PyTuple_GET_SIZE(args) == 0) {
        PyErr_SetString(PyExc_TypeError, "register() takes at least 1 argument (0 given)");
        return NULL;
    }
    PyObject *function = PyTuple_GET_ITEM(args, 0);
    if (!PyCallable_Check(function)) {
        PyErr_SetString(PyExc_TypeError, "the first argument must be callable");
        return NULL;
    }
    PyObject *rest = PyTuple_GetSlice(args, 1, PyTuple_GET_SIZE(args));
    if (!rest) return NULL;
    if (r->atexit_count >= r->atexit_size) {
        Py_ssize_t size = r->atexit_size + 16;
        AtExitEntry *grown = realloc(r->atexit_entries, (size_t)size * sizeof *grown);
        if (!grown) {
            Py_DECREF(rest);
            return PyErr_NoMemory();
        }
        r->atexit_entries = grown;
        r->atexit_size = size;
    }
    r->atexit_entries[r->atexit_count++] = (AtExitEntry){ Py_NewRef(function), rest, Py_XNewRef(kwargs) };
    return Py_NewRef(function);
}

BUILTIN_NOARGS(atexit, _run_exitfuncs, "($module, /)",
               "Run all registered exit functions.\n\n"
               "If a callback raises an exception, it is logged with sys.unraisablehook.")
{
    atexit_run(interp_get());
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(atexit, _clear, "($module, /)", "Clear the list of previously registered exit functions.")
{
    entries_clear(&interp_get()->runtime);
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(atexit, _ncallbacks, "($module, /)", "Return the number of registered exit functions.")
{
    return PyLong_FromSsize_t(interp_get()->runtime.atexit_count);
}

BUILTIN_O(atexit, unregister, "($module, func, /)",
          "Unregister an exit function which was previously registered using\n"
          "atexit.register\n\n"
          "    func - function to be unregistered")
{
    RuntimeState *r = &interp_get()->runtime;
    for (Py_ssize_t i = 0; i < r->atexit_count; i++) {      /* == may run code that changes the list */
        PyObject *function = r->atexit_entries[i].function;
        if (!function) continue;
        Py_INCREF(function);
        int equal = PyObject_RichCompareBool(function, arg, Py_EQ);
        Py_DECREF(function);
        if (equal < 0) return NULL;
        if (equal && i < r->atexit_count) entry_clear(&r->atexit_entries[i]);
    }
    Py_RETURN_NONE;
}

static PyMethodDef atexit_methods[] = {
    {"register", (PyCFunction)(void (*)(void))atexit_register, METH_VARARGS | METH_KEYWORDS,
     "register($module, func, /, *args, **kwargs)\n--\n\n"
     "Register a function to be executed upon normal program termination\n\n"
     "    func - function to be called at exit\n"
     "    args - optional arguments to pass to func\n"
     "    kwargs - optional keyword arguments to pass to func\n\n"
     "    func is returned to facilitate usage as a decorator."},
    METHOD(atexit, _clear), METHOD(atexit, unregister), METHOD(atexit, _run_exitfuncs), METHOD(atexit, _ncallbacks), {0}
};

static PyModuleDef_Slot atexit_slots[] = { {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED}, {0, NULL} };

static PyModuleDef atexit_module = {
    PyModuleDef_HEAD_INIT, .m_name = "atexit",
    .m_doc = "Functions to be executed upon normal program termination: register() and unregister() them.\n",
    .m_size = 0, .m_methods = atexit_methods, .m_slots = atexit_slots,
};

PyMODINIT_FUNC PyInit_atexit(void) { return PyModuleDef_Init(&atexit_module); }
