/* The gc module: Python's view of the cycle collector (memory/gc.c). */
#include "capi/args.h"
#include "memory/gc.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif

BUILTIN_NOARGS(gc_module, enable, "($module, /)", "Enable automatic garbage collection.")
{
    PyGC_Enable();
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(gc_module, disable, "($module, /)", "Disable automatic garbage collection.")
{
    PyGC_Disable();
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(gc_module, isenabled, "($module, /)", "Returns true if automatic garbage collection is enabled.")
{
    return PyBool_FromLong(PyGC_IsEnabled());
}

BUILTIN(gc_module, collect, KEYWORDS, "($module, /, generation=2)",
        "Run the garbage collector for generation and all younger ones; return the number of unreachable objects.\n"
        "A ValueError is raised for a generation that does not exist.")
{
    int generation = 2;
    if (arg[0]) {
        generation = PyLong_AsInt(arg[0]);
        if (generation == -1 && PyErr_Occurred()) return NULL;
    }
    if (generation < 0 || generation >= GENERATIONS) {
        PyErr_SetString(PyExc_ValueError, "invalid generation");
        return NULL;
    }
    Py_ssize_t found = gc_collect_generation(PyThreadState_Get(), generation);
#ifdef __GLIBC__
    if (generation == GENERATIONS - 1) malloc_trim(0);      /* who asks for a full collection wants the memory back, scratch included */
#endif
    return PyLong_FromSsize_t(found);
}

BUILTIN_O(gc_module, set_debug, "($module, flags, /)", "Set the debugging flags, a sum of the DEBUG_ constants.")
{
    int flags = PyLong_AsInt(arg);
    if (flags == -1 && PyErr_Occurred()) return NULL;
    interp_get()->gc.debug = flags;
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(gc_module, get_debug, "($module, /)", "Get the debugging flags.")
{
    return PyLong_FromLong(interp_get()->gc.debug);
}

/* The signature cannot be written down (two optional groups), as in CPython. */
static PyObject *gc_set_threshold(PyObject *module, PyObject *args)
{
    Collector *gc = &interp_get()->gc;
    int threshold[GENERATIONS];
    for (int i = 0; i < GENERATIONS; i++) threshold[i] = (int)gc->threshold[i];
    if (!PyArg_ParseTuple(args, "i|ii:set_threshold", &threshold[0], &threshold[1], &threshold[2])) return NULL;
    for (int i = 0; i < GENERATIONS; i++) gc->threshold[i] = threshold[i];
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(gc_module, get_threshold, "($module, /)", "Return the current collection thresholds.")
{
    Collector *gc = &interp_get()->gc;
    return Py_BuildValue("(nnn)", gc->threshold[0], gc->threshold[1], gc->threshold[2]);
}

BUILTIN_NOARGS(gc_module, get_count, "($module, /)", "Return a three-tuple of the current collection counts.")
{
    Collector *gc = &interp_get()->gc;
    return Py_BuildValue("(nnn)", gc->young_count, gc->count[1], gc->count[2]);
}

BUILTIN(gc_module, get_objects, KEYWORDS, "($module, /, generation=None)",
        "Return a list of objects tracked by the collector, all of them or those of one generation, without the list itself.")
{
    int from = 0, to = 2;
    if (PySys_Audit("gc.get_objects", "O", arg[0] ? arg[0] : Py_None) < 0) return NULL;
    if (arg[0] && arg[0] != Py_None) {
        Py_ssize_t generation = PyNumber_AsSsize_t(arg[0], PyExc_OverflowError);
        if (generation == -1 && PyErr_Occurred()) return NULL;
        if (generation >= GENERATIONS)
            return PyErr_Format(PyExc_ValueError, "generation parameter must be less than the number of available generations (%i)",
                                GENERATIONS);
        if (generation < 0) {
            PyErr_SetString(PyExc_ValueError, "generation parameter cannot be negative");
            return NULL;
        }
        from = to = (int)generation;
    }
    return gc_list_objects(PyThreadState_Get(), from, to, NULL);
}

BUILTIN_NOARGS(gc_module, get_stats, "($module, /)", "Return a list of dictionaries containing per-generation statistics.")
{
    Collector *gc = &interp_get()->gc;
    PyObject *list = PyList_New(0);
    for (int i = 0; list && i < GENERATIONS; i++) {
        PyObject *row = Py_BuildValue("{snsnsn}", "collections", gc->stats[i].collections, "collected", gc->stats[i].collected,
                                      "uncollectable", gc->stats[i].uncollectable);
        if (!row || PyList_Append(list, row) < 0) Py_CLEAR(list);
        Py_XDECREF(row);
    }
    return list;
}

BUILTIN_O(gc_module, is_tracked, "($module, obj, /)", "Returns true if the object is tracked by the garbage collector.")
{
    return PyBool_FromLong(PyObject_GC_IsTracked(arg));
}

BUILTIN_O(gc_module, is_finalized, "($module, obj, /)", "Returns true if the object has been already finalized by the GC.")
{
    return PyBool_FromLong(PyObject_GC_IsFinalized(arg));
}

static int is_one_of(PyObject *o, void *arg)
{
    PyObject *wanted = arg;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(wanted); i++)
        if (PyTuple_GET_ITEM(wanted, i) == o) return 1;
    return 0;
}

static PyObject *referrers(PyObject *module, PyObject *args)
{
    if (PySys_Audit("gc.get_referrers", "(O)", args) < 0) return NULL;
    PyObject *all = gc_list_objects(PyThreadState_Get(), 0, 2, args), *found = all ? PyList_New(0) : NULL;
    for (Py_ssize_t i = 0; found && i < PyList_GET_SIZE(all); i++) {
        PyObject *o = PyList_GET_ITEM(all, i);
        if (Py_TYPE(o)->tp_traverse(o, is_one_of, args) && PyList_Append(found, o) < 0) Py_CLEAR(found);
    }
    Py_XDECREF(all);
    return found;
}

static int append_referent(PyObject *o, void *list) { return PyList_Append(list, o) < 0; }

static PyObject *referents(PyObject *module, PyObject *args)
{
    if (PySys_Audit("gc.get_referents", "(O)", args) < 0) return NULL;
    PyObject *list = PyList_New(0);
    for (Py_ssize_t i = 0; list && i < PyTuple_GET_SIZE(args); i++) {
        PyObject *o = PyTuple_GET_ITEM(args, i);
        if (!PyObject_IS_GC(o) || !Py_TYPE(o)->tp_traverse) continue;
        if (Py_TYPE(o)->tp_traverse(o, append_referent, list)) Py_CLEAR(list);
    }
    return list;
}

static PyObject *with_tuple(PyCFunction function, PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    PyObject *tuple = PyTuple_New(nargs);
    for (Py_ssize_t i = 0; tuple && i < nargs; i++) PyTuple_SET_ITEM(tuple, i, Py_NewRef(args[i]));
    PyObject *result = tuple ? function(module, tuple) : NULL;
    Py_XDECREF(tuple);
    return result;
}

BUILTIN_FAST(gc_module, get_referrers, "($module, /, *objs)", "Return the list of objects that directly refer to any of objs.")
{
    return with_tuple(referrers, self, args, nargs);
}

BUILTIN_FAST(gc_module, get_referents, "($module, /, *objs)", "Return the list of objects that are directly referred to by 'objs'.")
{
    return with_tuple(referents, self, args, nargs);
}

BUILTIN_NOARGS(gc_module, freeze, "($module, /)", "Freeze all current tracked objects and ignore them for future collections.")
{
    gc_freeze(PyThreadState_Get());
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(gc_module, unfreeze, "($module, /)", "Unfreeze all objects in the permanent generation.")
{
    gc_unfreeze(PyThreadState_Get());
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(gc_module, get_freeze_count, "($module, /)", "Return the number of objects in the permanent generation.")
{
    return PyLong_FromSsize_t(gc_frozen_count(PyThreadState_Get()));
}

static PyMethodDef gc_methods[] = {
    METHOD(gc_module, enable), METHOD(gc_module, disable), METHOD(gc_module, isenabled), METHOD(gc_module, collect), METHOD(gc_module, set_debug),
    METHOD(gc_module, get_debug), METHOD(gc_module, get_threshold), METHOD(gc_module, get_count), METHOD(gc_module, get_objects), METHOD(gc_module, get_stats),
    METHOD(gc_module, is_tracked), METHOD(gc_module, is_finalized), METHOD(gc_module, freeze), METHOD(gc_module, unfreeze), METHOD(gc_module, get_freeze_count),
    { "set_threshold", gc_set_threshold, METH_VARARGS,
      "set_threshold(threshold0, [threshold1, [threshold2]])\nSet the collection thresholds; 0 as the first disables collection." },
    METHOD(gc_module, get_referrers), METHOD(gc_module, get_referents),
    { 0 }
};

static int gc_exec(PyObject *module)
{
    Collector *gc = &interp_get()->gc;
    if (!gc->garbage && !(gc->garbage = PyList_New(0))) return -1;
    if (!gc->callbacks && !(gc->callbacks = PyList_New(0))) return -1;
    if (PyModule_AddObjectRef(module, "garbage", gc->garbage) < 0) return -1;
    if (PyModule_AddObjectRef(module, "callbacks", gc->callbacks) < 0) return -1;
    static const struct { const char *name; int value; } constants[] = {
        { "DEBUG_STATS", GC_DEBUG_STATS }, { "DEBUG_COLLECTABLE", GC_DEBUG_COLLECTABLE },
        { "DEBUG_UNCOLLECTABLE", GC_DEBUG_UNCOLLECTABLE }, { "DEBUG_SAVEALL", GC_DEBUG_SAVEALL }, { "DEBUG_LEAK", GC_DEBUG_LEAK },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(constants); i++)
        if (PyModule_AddIntConstant(module, constants[i].name, constants[i].value) < 0) return -1;
    return 0;
}

static PyModuleDef_Slot gc_slots[] = {
    { Py_mod_exec, gc_exec },
    { Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED },
    { 0 }
};

static struct PyModuleDef gc_definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "gc",
    .m_doc = "Access to the garbage collector for reference cycles.",
    .m_methods = gc_methods,
    .m_slots = gc_slots,
};

PyMODINIT_FUNC PyInit_gc(void) { return PyModuleDef_Init(&gc_definition); }
