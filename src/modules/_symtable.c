/* _symtable: the compiler's symbol tables for the symtable module. */
#include "capi/args.h"
#include "compile/compile.h"

BUILTIN(symtable, symtable, POSITIONAL, "($module, source, filename, startstr, /)", "Return symbol and scope dictionaries used internally by compiler.")
{
    int start;
    PyObject *filename, *result;
    const char *mode;
    if (!PyUnicode_FSDecoder(arg[1], &filename)) return NULL;
    if (!PyUnicode_Check(arg[2])) {
        Py_DECREF(filename);
        return PyErr_Format(PyExc_TypeError, "symtable() argument 3 must be str, not %.50s",
                            arg[2] == Py_None ? "None" : Py_TYPE(arg[2])->tp_name);
    }
    if (!(mode = PyUnicode_AsUTF8(arg[2]))) {
        Py_DECREF(filename);
        return NULL;
    }
    if (!strcmp(mode, "exec")) start = Py_file_input;
    else if (!strcmp(mode, "eval")) start = Py_eval_input;
    else if (!strcmp(mode, "single")) start = Py_single_input;
    else {
        PyErr_SetString(PyExc_ValueError, "symtable() arg 3 must be 'exec' or 'eval' or 'single'");
        Py_DECREF(filename);
        return NULL;
    }
    PyCompilerFlags flags = { .cf_flags = PyCF_SOURCE_IS_UTF8, .cf_feature_version = PY_MINOR_VERSION };
    result = compile_symtable_object(arg[0], filename, start, &flags);
    Py_DECREF(filename);
    return result;
}

static PyMethodDef symtable_methods[] = { METHOD(symtable, symtable), {0} };

/* Flags of a symbol, then kinds of blocks, then scopes. */
static const struct { const char *name; int value; } constants[] = {
    { "USE", 16 }, { "DEF_GLOBAL", 1 }, { "DEF_NONLOCAL", 8 }, { "DEF_LOCAL", 2 }, { "DEF_PARAM", 4 }, { "DEF_FREE", 32 },
    { "DEF_FREE_CLASS", 64 }, { "DEF_IMPORT", 128 }, { "DEF_BOUND", 134 }, { "DEF_ANNOT", 256 },
    { "TYPE_FUNCTION", 0 }, { "TYPE_CLASS", 1 }, { "TYPE_MODULE", 2 }, { "TYPE_ANNOTATION", 3 }, { "TYPE_TYPE_ALIAS", 4 },
    { "TYPE_TYPE_PARAMETERS", 5 }, { "TYPE_TYPE_VARIABLE", 6 },
    { "LOCAL", 1 }, { "GLOBAL_EXPLICIT", 2 }, { "GLOBAL_IMPLICIT", 3 }, { "FREE", 4 }, { "CELL", 5 },
    { "SCOPE_OFF", 12 }, { "SCOPE_MASK", 15 },
};

static int symtable_exec(PyObject *module)
{
    for (size_t i = 0; i < ARRAY_LENGTH(constants); i++)
        if (PyModule_AddIntConstant(module, constants[i].name, constants[i].value) < 0) return -1;
    return 0;
}

static PyModuleDef_Slot symtable_slots[] = {
    { Py_mod_exec, (void *)symtable_exec }, { Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED },
    { Py_mod_gil, Py_MOD_GIL_NOT_USED }, { 0, NULL }
};
static PyModuleDef symtable_module = {
    PyModuleDef_HEAD_INIT, .m_name = "_symtable", .m_size = 0, .m_methods = symtable_methods, .m_slots = symtable_slots,
};

PyMODINIT_FUNC PyInit__symtable(void) { return PyModuleDef_Init(&symtable_module); }
