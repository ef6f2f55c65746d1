/* The front end as an extension module of another Python, which serves as the oracle:
 *     frontend_ext.parse(source, filename, mode, flags=0, feature_version=-1) -> tree of frontend_ext's own ast classes
 *     frontend_ext.check(tree, mode)        what compile() does with a tree before compiling it; returns it rebuilt
 *     frontend_ext.unparse(tree)            the body of an Expression as source text
 *     frontend_ext.bench(source, filename, rounds) -> seconds for parsing alone */
#include "syntax/ast_private.h"
#include <time.h>

PyMODINIT_FUNC PyInit__ast(void);
PyMODINIT_FUNC PyInit__tokenize(void);

static int start_of_mode(const char *mode)
{
    if (!strcmp(mode, "exec")) return Py_file_input;
    if (!strcmp(mode, "eval")) return Py_eval_input;
    if (!strcmp(mode, "single")) return Py_single_input;
    return Py_func_type_input;
}

static PyObject *frontend_parse(PyObject *self, PyObject *args)
{
    PyObject *source, *filename, *result = NULL;
    const char *mode;
    int flags = 0, version = -1;
    if (!PyArg_ParseTuple(args, "OUs|ii", &source, &filename, &mode, &flags, &version)) return NULL;
    PyCompilerFlags f = { .cf_flags = flags, .cf_feature_version = version >= 0 ? version : PY_MINOR_VERSION };
    if (version >= 0) f.cf_flags |= PyCF_ONLY_AST;
    Arena *arena = arena_new();
    mod_ty tree = arena ? syntax_parse_object(arena, source, filename, start_of_mode(mode), &f, "compile", "string, bytes or AST") : NULL;
    if (tree) result = tree_to_object(tree);
    arena_free(arena);
    return result;
}

static PyObject *frontend_check(PyObject *self, PyObject *args)
{
    PyObject *object, *result = NULL;
    int mode;
    if (!PyArg_ParseTuple(args, "Oi", &object, &mode)) return NULL;
    Arena *arena = arena_new();
    mod_ty tree = arena ? tree_from_object(arena, object, mode) : NULL;
    if (tree && tree_validate(tree) == 0) result = tree_to_object(tree);
    arena_free(arena);
    return result;
}

static PyObject *frontend_unparse(PyObject *self, PyObject *object)
{
    Arena *arena = arena_new();
    PyObject *result = NULL;
    mod_ty tree = arena ? tree_from_object(arena, object, 1) : NULL;
    if (tree) result = tree_unparse_expr(tree->v.Expression.body);
    arena_free(arena);
    return result;
}

typedef struct { PyObject *lines; Py_ssize_t next; } Lines;

static PyObject *read_line(void *context, int prompt)
{
    Lines *l = context;
    return l->next < PyList_GET_SIZE(l->lines) ? Py_NewRef(PyList_GET_ITEM(l->lines, l->next++)) : PyUnicode_FromString("");
}

/* parse_lines(lines, filename) -> (tree or exception, lines read, whether the input ended at once) */
static PyObject *frontend_parse_lines(PyObject *self, PyObject *args)
{
    Lines l = { NULL, 0 };
    PyObject *filename, *result = NULL;
    int eof = 0;
    if (!PyArg_ParseTuple(args, "O!U", &PyList_Type, &l.lines, &filename)) return NULL;
    Arena *arena = arena_new();
    mod_ty tree = arena ? syntax_parse_lines(arena, read_line, &l, filename, Py_single_input, NULL, &eof) : NULL;
    if (tree) result = tree_to_object(tree);
    else result = PyErr_GetRaisedException();
    arena_free(arena);
    return result ? Py_BuildValue("(Nni)", result, l.next, eof) : NULL;
}

static PyObject *frontend_bench(PyObject *self, PyObject *args)
{
    PyObject *source, *filename;
    int rounds;
    if (!PyArg_ParseTuple(args, "OUi", &source, &filename, &rounds)) return NULL;
    struct timespec a, b;
    double best = 1e9;
    for (int i = 0; i < rounds; i++) {
        clock_gettime(CLOCK_MONOTONIC, &a);
        Arena *arena = arena_new();
        mod_ty tree = arena ? syntax_parse_object(arena, source, filename, Py_file_input, NULL, "compile", "string") : NULL;
        arena_free(arena);
        clock_gettime(CLOCK_MONOTONIC, &b);
        if (!tree) return NULL;
        double t = (double)(b.tv_sec - a.tv_sec) + 1e-9 * (double)(b.tv_nsec - a.tv_nsec);
        if (t < best) best = t;
    }
    return PyFloat_FromDouble(best);
}

static PyObject *module_of(PyObject *self, PyObject *init_name)
{
    PyObject *def = PyUnicode_EqualToUTF8(init_name, "_ast") ? PyInit__ast() : PyInit__tokenize();
    PyObject *spec_type = PyImport_ImportModule("importlib.machinery"), *spec = NULL, *module = NULL;
    if (spec_type) spec = PyObject_CallMethod(spec_type, "ModuleSpec", "OO", init_name, Py_None);
    if (spec) module = PyModule_FromDefAndSpec((PyModuleDef *)def, spec);
    if (module && PyModule_ExecDef(module, (PyModuleDef *)def) < 0) Py_CLEAR(module);
    Py_XDECREF(spec);
    Py_XDECREF(spec_type);
    return module;
}

static PyMethodDef frontend_methods[] = {
    { "parse", frontend_parse, METH_VARARGS, NULL }, { "check", frontend_check, METH_VARARGS, NULL },
    { "parse_lines", frontend_parse_lines, METH_VARARGS, NULL }, { "unparse", frontend_unparse, METH_O, NULL }, { "bench", frontend_bench, METH_VARARGS, NULL },
    { "module", module_of, METH_O, NULL }, { 0 }
};
static struct PyModuleDef frontend_module = { PyModuleDef_HEAD_INIT, .m_name = "frontend_ext", .m_methods = frontend_methods };
PyMODINIT_FUNC PyInit_frontend_ext(void) { return PyModule_Create(&frontend_module); }
