/* The compiler as an extension module of another Python, which serves as the oracle:
 *     compile_ext.compile_source(source, filename, mode, flags=0, optimize=0) -> code object, or ast object
 *     compile_ext.module("_symtable" or "_opcode") -> the module
 *     compile_ext.bench(source, filename, rounds) -> (seconds for parsing, seconds for compiling) */
#include "compile/compile_private.h"
#include "objects/code.h"
#include <time.h>

PyMODINIT_FUNC PyInit__symtable(void);
PyMODINIT_FUNC PyInit__opcode(void);
extern PyTypeObject symtable_entry_type;

PyObject *shim_names[SHIM_NAMES];

/* The public constructor wants the kinds of variables apart, and does not know about hidden ones. */
PyObject *code_new(const CodeParts *p)
{
    const char *kinds = PyBytes_AS_STRING(p->localspluskinds);
    Py_ssize_t n = PyTuple_GET_SIZE(p->localsplusnames), locals = 0;
    PyObject *lists[3] = { PyList_New(0), PyList_New(0), PyList_New(0) }, *tuples[3] = { NULL };
    static const int kind[3] = { CO_FAST_LOCAL, CO_FAST_CELL, CO_FAST_FREE };
    PyCodeObject *co = NULL;
    for (int k = 0; k < 3; k++) {
        for (Py_ssize_t i = 0; i < n; i++)
            if (kinds[i] & kind[k] && PyList_Append(lists[k], PyTuple_GET_ITEM(p->localsplusnames, i)) < 0) goto done;
        if (!(tuples[k] = PyList_AsTuple(lists[k]))) goto done;
    }
    locals = PyTuple_GET_SIZE(tuples[0]);
    co = PyUnstable_Code_NewWithPosOnlyArgs(p->argcount, p->posonlyargcount, p->kwonlyargcount, (int)locals, p->stacksize, p->flags,
        p->code, p->consts, p->names, tuples[0], tuples[2], tuples[1], p->filename, p->name, p->qualname, p->firstlineno, p->linetable,
        p->exceptiontable);
    if (co) Py_SETREF(co->co_localspluskinds, Py_NewRef(p->localspluskinds));
done:
    for (int k = 0; k < 3; k++) {
        Py_XDECREF(lists[k]);
        Py_XDECREF(tuples[k]);
    }
    return (PyObject *)co;
}

static int start_of_mode(const char *mode)
{
    if (!strcmp(mode, "exec")) return Py_file_input;
    if (!strcmp(mode, "eval")) return Py_eval_input;
    if (!strcmp(mode, "single")) return Py_single_input;
    return Py_func_type_input;
}

static PyObject *ext_compile(PyObject *self, PyObject *args)
{
    PyObject *source, *filename;
    const char *mode;
    int flags = 0, optimize = 0;
    if (!PyArg_ParseTuple(args, "OUs|ii", &source, &filename, &mode, &flags, &optimize)) return NULL;
    PyCompilerFlags f = { .cf_flags = flags, .cf_feature_version = PY_MINOR_VERSION };
    return compile_source(source, filename, start_of_mode(mode), &f, optimize, "compile", "string, bytes or AST");
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static PyObject *ext_bench(PyObject *self, PyObject *args)
{
    PyObject *source, *filename;
    int rounds;
    if (!PyArg_ParseTuple(args, "OUi", &source, &filename, &rounds)) return NULL;
    double parsing = 1e9, compiling = 1e9;
    for (int i = 0; i < rounds; i++) {
        PyCompilerFlags f = { .cf_flags = 0, .cf_feature_version = PY_MINOR_VERSION };
        double a = now();
        Arena *arena = arena_new();
        mod_ty tree = arena ? syntax_parse_object(arena, source, filename, Py_file_input, &f, "compile", "string") : NULL;
        double b = now();
        PyObject *code = tree ? compile_tree(tree, filename, &f, 0, arena) : NULL;
        double c = now();
        arena_free(arena);
        if (!code) return NULL;
        Py_DECREF(code);
        if (b - a < parsing) parsing = b - a;
        if (c - b < compiling) compiling = c - b;
    }
    return Py_BuildValue("dd", parsing, compiling);
}

static PyObject *ext_module(PyObject *self, PyObject *init_name)
{
    PyObject *def = PyUnicode_EqualToUTF8(init_name, "_symtable") ? PyInit__symtable() : PyInit__opcode();
    PyObject *machinery = PyImport_ImportModule("importlib.machinery"), *spec = NULL, *module = NULL;
    if (machinery) spec = PyObject_CallMethod(machinery, "ModuleSpec", "OO", init_name, Py_None);
    if (spec) module = PyModule_FromDefAndSpec((PyModuleDef *)def, spec);
    if (module && PyModule_ExecDef(module, (PyModuleDef *)def) < 0) Py_CLEAR(module);
    Py_XDECREF(spec);
    Py_XDECREF(machinery);
    return module;
}

static PyMethodDef methods[] = {
    { "module", ext_module, METH_O, NULL },
    { "compile_source", ext_compile, METH_VARARGS, NULL }, { "bench", ext_bench, METH_VARARGS, NULL }, { 0 }
};
static struct PyModuleDef module_def = { PyModuleDef_HEAD_INIT, .m_name = "compile_ext", .m_methods = methods };

PyMODINIT_FUNC PyInit_compile_ext(void)
{
#define NAME(name) if (!(shim_names[SHIM_##name] = PyUnicode_InternFromString(#name))) return NULL;
#include "runtime/names.def"
    return PyType_Ready(&symtable_entry_type) < 0 ? NULL : PyModule_Create(&module_def);
}
