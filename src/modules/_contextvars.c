/* _contextvars: the types of objects/context.c and copy_context(). */
#include "runtime/state.h"
#include "capi/args.h"
#include "objects/hamt.h"

BUILTIN_NOARGS(_contextvars, copy_context, "($module, /)", "") { return PyContext_CopyCurrent(); }

PyObject *context_token_missing(void);

static int contextvars_exec(PyObject *m)
{
    if (hamt_types_init() < 0) return -1;
    PyObject *dict = PyType_GetDict(&PyContextToken_Type);
    int status = dict ? PyDict_SetItemString(dict, "MISSING", context_token_missing()) : -1;
    Py_XDECREF(dict);
    if (status < 0) return -1;
    return PyModule_AddType(m, &PyContext_Type) < 0 || PyModule_AddType(m, &PyContextVar_Type) < 0 ||
           PyModule_AddType(m, &PyContextToken_Type) < 0 ? -1 : 0;
}

static PyMethodDef contextvars_methods[] = { METHOD(_contextvars, copy_context), {0} };
static PyModuleDef_Slot contextvars_slots[] = {
    {Py_mod_exec, contextvars_exec},
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
    {0},
};
static struct PyModuleDef contextvars_module = {
    PyModuleDef_HEAD_INIT, .m_name = "_contextvars", .m_doc = "Context Variables", .m_methods = contextvars_methods, .m_slots = contextvars_slots,
};

PyMODINIT_FUNC PyInit__contextvars(void) { return PyModuleDef_Init(&contextvars_module); }
