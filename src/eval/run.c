/* Running code from C: the vectorcall of functions, PyEval_EvalCode and its kin, and what the innermost frame sees. */
#include "eval/eval_private.h"
#include "runtime/errors.h"

/* ---- calling functions -------------------------------------------------------------------------------------------------- */

PyObject *eval_function_in(PyThreadState *ts, PyObject *func, PyObject *locals, PyObject *const *args, Py_ssize_t nargs,
                           PyObject *kwnames)
{
    Py_ssize_t total = nargs + (kwnames ? PyTuple_GET_SIZE(kwnames) : 0);
    for (Py_ssize_t i = 0; i < total; i++) Py_INCREF(args[i]);
    Frame *f = frame_push_call(ts, (PyFunctionObject *)Py_NewRef(func), Py_XNewRef(locals), args, nargs, kwnames);
    return f ? eval_frame(ts, f, 0) : NULL;
}

PyObject *function_vectorcall(PyObject *function, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    PyFunctionObject *func = (PyFunctionObject *)function;
    PyObject *locals = ((PyCodeObject *)func->func_code)->co_flags & CO_OPTIMIZED ? NULL : func->func_globals;
    return eval_function_in(PyThreadState_GET(), function, locals, args, PyVectorcall_NARGS(nargsf), kwnames);
}

PyObject *eval_builtins_of(PyThreadState *ts, PyObject *globals)
{
    PyObject *builtins = NULL;
    if (PyDict_Check(globals)) {
        builtins = PyDict_GetItemWithError(globals, STR(__builtins__));
        if (!builtins && PyErr_Occurred()) return NULL;
    }
    if (!builtins) return PyEval_GetBuiltins();
    return PyModule_Check(builtins) ? PyModule_GetDict(builtins) : builtins;
}

PyObject *PyEval_EvalCode(PyObject *co, PyObject *globals, PyObject *locals)
{
    PyThreadState *ts = PyThreadState_GET();
    if (!globals) {
        PyErr_SetString(PyExc_SystemError, "PyEval_EvalCode: NULL globals");
        return NULL;
    }
    PyObject *builtins = eval_builtins_of(ts, globals);
    if (!builtins) return NULL;
    PyFunctionObject *func = (PyFunctionObject *)PyFunction_New(co, globals);
    if (!func) return NULL;
    Py_XSETREF(func->func_builtins, Py_NewRef(builtins));
    PyObject *result = eval_function_in(ts, (PyObject *)func, locals ? locals : globals, NULL, 0, NULL);
    Py_DECREF(func);
    return result;
}

PyObject *PyEval_EvalCodeEx(PyObject *co, PyObject *globals, PyObject *locals, PyObject *const *args, int argcount,
                            PyObject *const *kws, int kwcount, PyObject *const *defs, int defcount, PyObject *kwdefs,
                            PyObject *closure)
{
    PyThreadState *ts = PyThreadState_GET();
    PyObject *result = NULL, *defaults = NULL, *kwnames = NULL, **all = NULL;
    PyObject *builtins = eval_builtins_of(ts, globals);
    if (!builtins) return NULL;
    PyFunctionObject *func = (PyFunctionObject *)PyFunction_New(co, globals);
    if (!func) return NULL;
    Py_XSETREF(func->func_builtins, Py_NewRef(builtins));
    if (defcount) {
        if (!(defaults = PyTuple_New(defcount))) goto done;
        for (int i = 0; i < defcount; i++) PyTuple_SET_ITEM(defaults, i, Py_NewRef(defs[i]));
        Py_XSETREF(func->func_defaults, defaults);
    }
    if (kwdefs) Py_XSETREF(func->func_kwdefaults, Py_NewRef(kwdefs));
    if (closure) Py_XSETREF(func->func_closure, Py_NewRef(closure));
    all = PyMem_Malloc((size_t)(argcount + kwcount + 1) * sizeof(PyObject *));
    if (!all) {
        PyErr_NoMemory();
        goto done;
    }
    for (int i = 0; i < argcount; i++) all[i] = args[i];
    if (kwcount) {
        if (!(kwnames = PyTuple_New(kwcount))) goto done;
        for (int i = 0; i < kwcount; i++) {
            PyTuple_SET_ITEM(kwnames, i, Py_NewRef(kws[2 * i]));
            all[argcount + i] = kws[2 * i + 1];
        }
    }
    result = eval_function_in(ts, (PyObject *)func, ((PyCodeObject *)co)->co_flags & CO_OPTIMIZED ? NULL : locals ? locals : globals,
                              all, argcount, kwnames);
done:
    PyMem_Free(all);
    Py_XDECREF(kwnames);
    Py_DECREF(func);
    return result;
}

PyObject *PyEval_EvalFrame(PyFrameObject *f) { return PyEval_EvalFrameEx(f, 0); }

PyObject *PyEval_EvalFrameEx(PyFrameObject *f, int throw)
{
    Frame *frame = f->f_frame;
    if (frame->owner != FRAME_OWNED_BY_FRAME_OBJECT) {
        PyErr_SetString(PyExc_SystemError, "PyEval_EvalFrameEx: the frame is already active");
        return NULL;
    }
    return eval_frame(PyThreadState_GET(), frame, throw);
}

/* ---- what the innermost frame sees ---------------------------------------------------------------------------------------- */

PyFrameObject *PyEval_GetFrame(void)
{
    Frame *f = frame_current(PyThreadState_GET());
    if (!f) return NULL;
    PyFrameObject *object = frame_object(f);
    if (!object) PyErr_Clear();
    return object;
}

PyFrameObject *PyThreadState_GetFrame(PyThreadState *ts)
{
    Frame *f = frame_current(ts);
    if (!f) return NULL;
    PyFrameObject *object = frame_object(f);
    if (!object) PyErr_Clear();
    return (PyFrameObject *)Py_XNewRef(object);
}

PyObject *PyEval_GetBuiltins(void)
{
    PyThreadState *ts = PyThreadState_GET();
    Frame *f = frame_current(ts);
    return f ? f->f_builtins : ts->interp->runtime.builtins;
}

PyObject *PyEval_GetGlobals(void)
{
    Frame *f = frame_current(PyThreadState_GET());
    return f ? f->f_globals : NULL;
}

PyObject *PyEval_GetLocals(void)
{
    Frame *f = frame_current(PyThreadState_GET());
    if (!f) {
        PyErr_SetString(PyExc_SystemError, "frame does not exist");
        return NULL;
    }
    PyObject *locals = frame_locals(f);
    if (!locals) return NULL;
    if (PyFrameLocalsProxy_Check(locals)) {                 /* a borrowed reference: kept by the frame object */
        PyFrameObject *object = frame_object(f);
        PyObject *cache = object ? object->f_locals_cache : NULL;
        if (object && !cache) cache = object->f_locals_cache = PyDict_New();
        if (!cache || PyDict_Update(cache, locals) < 0) cache = NULL;
        Py_DECREF(locals);
        return cache;
    }
    Py_DECREF(locals);
    return locals;
}

PyObject *PyEval_GetFrameLocals(void)
{
    Frame *f = frame_current(PyThreadState_GET());
    if (!f) {
        PyErr_SetString(PyExc_SystemError, "frame does not exist");
        return NULL;
    }
    PyObject *locals = frame_locals(f);
    if (!locals || !PyFrameLocalsProxy_Check(locals)) return locals;
    PyObject *copy = PyDict_New();
    if (copy && PyDict_Update(copy, locals) < 0) Py_CLEAR(copy);
    Py_DECREF(locals);
    return copy;
}

PyObject *PyEval_GetFrameGlobals(void) { return Py_XNewRef(PyEval_GetGlobals()); }
PyObject *PyEval_GetFrameBuiltins(void) { return Py_XNewRef(PyEval_GetBuiltins()); }

int PyEval_MergeCompilerFlags(PyCompilerFlags *cf)
{
    Frame *f = frame_current(PyThreadState_GET());
    int result = cf->cf_flags != 0;
    if (f) {
        int flags = frame_code(f)->co_flags & PyCF_MASK;
        if (flags) {
            result = 1;
            cf->cf_flags |= flags;
        }
    }
    return result;
}

const char *PyEval_GetFuncName(PyObject *func)
{
    if (PyMethod_Check(func)) return PyEval_GetFuncName(PyMethod_GET_FUNCTION(func));
    if (PyFunction_Check(func)) return PyUnicode_AsUTF8(((PyFunctionObject *)func)->func_name);
    if (PyCFunction_Check(func)) return ((PyCFunctionObject *)func)->m_ml->ml_name;
    return Py_TYPE(func)->tp_name;
}

const char *PyEval_GetFuncDesc(PyObject *func)
{
    return PyMethod_Check(func) || PyFunction_Check(func) || PyCFunction_Check(func) ? "()" : " object";
}
