/* The _weakref module: the types and the few functions that weakref.py builds on. */
#include "capi/args.h"
#include "memory/weakref.h"

BUILTIN_O(weakref_module, getweakrefcount, "($module, object, /)", "Return the number of weak references to object.")
{
    return PyLong_FromSsize_t(weakref_count(arg));
}

BUILTIN_O(weakref_module, getweakrefs, "($module, object, /)", "Return a list of all weak reference objects pointing to object.")
{
    PyObject *list = PyList_New(0);
    if (!list) return NULL;
    PyWeakReference **head = Py_TYPE(arg)->tp_weaklistoffset ? weakref_list(arg, false) : NULL;
    for (PyWeakReference *ref = head ? *head : NULL; ref; ref = ref->wr_next) {
        if (Py_REFCNT(ref) <= 0) continue;
        if (PyList_Append(list, (PyObject *)ref) < 0) {
            Py_DECREF(list);
            return NULL;
        }
    }
    return list;
}

BUILTIN(weakref_module, proxy, POSITIONAL, "($module, object, callback=None, /)",
        "Create a proxy object that weakly references object; callback is called with it when object is about to go.")
{
    return PyWeakref_NewProxy(arg[0], arg[1]);
}

BUILTIN(weakref_module, _remove_dead_weakref, POSITIONAL, "($module, dct, key, /)",
        "Delete key from dct if its value is a weak reference whose object is gone.")
{
    if (!PyDict_Check(arg[0])) return PyErr_Format(PyExc_TypeError, "_remove_dead_weakref() argument 1 must be dict, not %T", arg[0]);
    PyObject *ref, *alive;
    int found = PyDict_GetItemRef(arg[0], arg[1], &ref);
    if (found < 0) return NULL;
    if (found == 0) Py_RETURN_NONE;
    found = PyWeakref_GetRef(ref, &alive);
    Py_DECREF(ref);
    if (found < 0) return NULL;
    Py_XDECREF(alive);
    if (found == 0 && PyDict_DelItem(arg[0], arg[1]) < 0) {
        if (!PyErr_ExceptionMatches(PyExc_KeyError)) return NULL;
        PyErr_Clear();
    }
    Py_RETURN_NONE;
}

static PyMethodDef weakref_functions[] = {
    METHOD(weakref_module, getweakrefcount),
    METHOD(weakref_module, getweakrefs),
    METHOD(weakref_module, proxy),
    METHOD(weakref_module, _remove_dead_weakref),
    { 0 }
};

static int weakref_exec(PyObject *module)
{
    if (PyModule_AddObjectRef(module, "ref", (PyObject *)&_PyWeakref_RefType) < 0) return -1;
    if (PyModule_AddObjectRef(module, "ReferenceType", (PyObject *)&_PyWeakref_RefType) < 0) return -1;
    if (PyModule_AddObjectRef(module, "ProxyType", (PyObject *)&_PyWeakref_ProxyType) < 0) return -1;
    return PyModule_AddObjectRef(module, "CallableProxyType", (PyObject *)&_PyWeakref_CallableProxyType);
}

static PyModuleDef_Slot weakref_slots[] = {
    { Py_mod_exec, weakref_exec },
    { Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED },
    { 0 }
};

static struct PyModuleDef weakref_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_weakref",
    .m_doc = "Weak-reference support module.",
    .m_methods = weakref_functions,
    .m_slots = weakref_slots,
};

PyMODINIT_FUNC PyInit__weakref(void) { return PyModuleDef_Init(&weakref_module); }
