/* _typing: the classes of typing that the compiler needs too (objects/typevar.c, typevar_alias.c). */
#include "objects/genericalias.h"

#include "capi/args.h"

BUILTIN_O(typing, _idfunc, "($module, x, /)", "Return x.") { (void)self; return Py_NewRef(arg); }

static PyMethodDef typing_functions[] = { METHOD(typing, _idfunc), { NULL } };

static int typing_exec(PyObject *module)
{
    static const struct { const char *name; int which; } classes[] = {
        { "TypeVar", TYPING_TYPEVAR }, { "TypeVarTuple", TYPING_TYPEVARTUPLE }, { "ParamSpec", TYPING_PARAMSPEC },
        { "ParamSpecArgs", TYPING_PARAMSPEC_ARGS }, { "ParamSpecKwargs", TYPING_PARAMSPEC_KWARGS }, { "Generic", TYPING_GENERIC },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(classes); i++) {
        PyTypeObject *type = typing_class(classes[i].which);
        if (!type || PyModule_AddObjectRef(module, classes[i].name, OBJECT(type)) < 0) return -1;
    }
    if (PyModule_AddObjectRef(module, "TypeAliasType", OBJECT(&typealias_type)) < 0) return -1;
    return PyModule_AddObjectRef(module, "NoDefault", NO_DEFAULT);
}

static PyModuleDef_Slot typing_slots[] = {
    { Py_mod_exec, typing_exec }, { Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED }, { 0, NULL },
};

static struct PyModuleDef typing_module = {
    PyModuleDef_HEAD_INIT, .m_name = "_typing", .m_doc = "Primitives and accelerators for the typing module.\n", .m_methods = typing_functions, .m_slots = typing_slots,
};

PyMODINIT_FUNC PyInit__typing(void) { return PyModuleDef_Init(&typing_module); }
