/* The _ast module: the classes of the syntax tree (made in syntax/ast_types.c) and the flags of compile() that concern it. */
#include "syntax/ast_private.h"

static int ast_exec(PyObject *module)
{
    AstState *state = ast_state();
    if (!state) return -1;
    for (int id = 0; id < CLASS_COUNT; id++)
        if (PyModule_AddObjectRef(module, ast_classes[id].name, state->classes[id]) < 0) return -1;
    if (PyModule_AddIntConstant(module, "PyCF_ALLOW_TOP_LEVEL_AWAIT", PyCF_ALLOW_TOP_LEVEL_AWAIT) < 0 ||
        PyModule_AddIntConstant(module, "PyCF_ONLY_AST", PyCF_ONLY_AST) < 0 ||
        PyModule_AddIntConstant(module, "PyCF_TYPE_COMMENTS", PyCF_TYPE_COMMENTS) < 0 ||
        PyModule_AddIntConstant(module, "PyCF_OPTIMIZED_AST", PyCF_OPTIMIZED_AST) < 0)
        return -1;
    return 0;
}

static PyModuleDef_Slot ast_slots[] = {
    { Py_mod_exec, ast_exec },
    { Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED },
    { Py_mod_gil, Py_MOD_GIL_NOT_USED },
    { 0, NULL }
};

static struct PyModuleDef ast_module = { PyModuleDef_HEAD_INIT, .m_name = "_ast", .m_slots = ast_slots };

PyMODINIT_FUNC PyInit__ast(void) { return PyModuleDef_Init(&ast_module); }
