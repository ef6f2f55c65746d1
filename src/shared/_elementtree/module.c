/* The module _elementtree: Element, TreeBuilder and XMLParser in C. */
#include "elementtree.h"

#include <string.h>

PyObject *tree_subelement(PyObject *module, PyObject *args, PyObject *kwargs);

static int callable_or_none(PyObject *o, const char *what)
{
    if (o == Py_None || PyCallable_Check(o)) return 0;
    PyErr_Format(PyExc_TypeError, "%s factory must be callable, not %.100s", what, Py_TYPE(o)->tp_name);
    return -1;
}

BUILTIN(tree, _set_factories, POSITIONAL, "($module, comment_factory, pi_factory, /)", "What makes comments and processing instructions. The old ones.")
{
    TreeState *state = tree_state(self);
    if (callable_or_none(arg[0], "Comment") < 0 || callable_or_none(arg[1], "PI") < 0) return NULL;
    PyObject *old = PyTuple_Pack(2, state->comment_factory ? state->comment_factory : Py_None, state->pi_factory ? state->pi_factory : Py_None);
    if (!old) return NULL;
    SET_FIELD(state->comment_factory, arg[0] == Py_None ? NULL : Py_NewRef(arg[0]));
    SET_FIELD(state->pi_factory, arg[1] == Py_None ? NULL : Py_NewRef(arg[1]));
    return old;
}

static PyMethodDef tree_methods[] = {
    { "SubElement", (PyCFunction)(void (*)(void))tree_subelement, METH_VARARGS | METH_KEYWORDS, NULL }, METHOD(tree, _set_factories), { 0 }
};

static PyObject *attribute_of(const char *module_name, const char *name)
{
    PyObject *module = PyImport_ImportModule(module_name), *value = module ? PyObject_GetAttrString(module, name) : NULL;
    Py_XDECREF(module);
    return value;
}

static int expat_import(TreeState *state)
{
    if (!(state->expat = PyCapsule_Import(PyExpat_CAPSULE_NAME, 0))) return -1;
    if (strcmp(state->expat->magic, PyExpat_CAPI_MAGIC) == 0 && (size_t)state->expat->size >= sizeof(struct PyExpat_CAPI)
        && state->expat->MAJOR_VERSION == XML_MAJOR_VERSION && state->expat->MINOR_VERSION == XML_MINOR_VERSION
        && state->expat->MICRO_VERSION == XML_MICRO_VERSION) return 0;
    PyErr_SetString(PyExc_ImportError, "pyexpat version is incompatible");
    return -1;
}

static int tree_exec(PyObject *module)
{
    TreeState *state = tree_state(module);
    if (!(state->iterator = (PyTypeObject *)PyType_FromModuleAndSpec(module, &iterator_spec, NULL))) return -1;
    if (module_add_type(module, &builder_spec, &state->builder) < 0 || module_add_type(module, &element_spec, &state->element) < 0
        || module_add_type(module, &parser_spec, &state->parser) < 0) return -1;
    if (!(state->deepcopy = attribute_of("copy", "deepcopy"))) return -1;
    if (!(state->element_path = PyImport_ImportModule("xml.etree.ElementPath")) || expat_import(state) < 0) return -1;
    state->parse_error = PyErr_NewException("xml.etree.ElementTree.ParseError", PyExc_SyntaxError, NULL);
    return state->parse_error ? PyModule_AddObjectRef(module, "ParseError", state->parse_error) : -1;
}

static int tree_traverse(PyObject *module, visitproc visit, void *arg)
{
    TreeState *state = tree_state(module);
    Py_VISIT(state->element);
    Py_VISIT(state->iterator);
    Py_VISIT(state->builder);
    Py_VISIT(state->parser);
    Py_VISIT(state->parse_error);
    Py_VISIT(state->comment_factory);
    Py_VISIT(state->pi_factory);
    Py_VISIT(state->deepcopy);
    Py_VISIT(state->element_path);
    return 0;
}

/* Instances reach the types through the state for as long as they live: those stay until the module is freed. */
static int tree_clear(PyObject *module)
{
    TreeState *state = tree_state(module);
    Py_CLEAR(state->comment_factory);
    Py_CLEAR(state->pi_factory);
    return 0;
}

static void tree_free(void *module)
{
    TreeState *state = tree_state(module);
    tree_clear(module);
    Py_CLEAR(state->element);
    Py_CLEAR(state->iterator);
    Py_CLEAR(state->builder);
    Py_CLEAR(state->parser);
    Py_CLEAR(state->parse_error);
    Py_CLEAR(state->deepcopy);
    Py_CLEAR(state->element_path);
}

static PyModuleDef_Slot tree_slots[] = { { Py_mod_exec, tree_exec }, MODULE_SLOTS_COMMON, { 0 } };
struct PyModuleDef elementtree_definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_elementtree",
    .m_size = sizeof(TreeState),
    .m_methods = tree_methods,
    .m_slots = tree_slots,
    .m_traverse = tree_traverse,
    .m_clear = tree_clear,
    .m_free = tree_free,
};
PyMODINIT_FUNC PyInit__elementtree(void) { return PyModuleDef_Init(&elementtree_definition); }
