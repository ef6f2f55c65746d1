/* The entries: text or ast objects to code objects, for compile(), exec(), importlib and the C API; docstrings. */
#include "compile/codegen_private.h"
#include "runtime/runtime.h"

int compile_default_level(void)
{
    int level = interp_config(PyInterpreterState_Get())->optimization_level;
    return level < 0 ? 0 : level;
}

/* ---- docstrings --------------------------------------------------------------------------------------------------------- */

/* The least indentation of the lines behind the first one that are not blank. */
static Py_ssize_t doc_margin(const char *p, const char *end)
{
    Py_ssize_t margin = PY_SSIZE_T_MAX;
    while (p < end && *p++ != '\n') ;
    while (p < end) {
        const char *start = p;
        while (p < end && *p == ' ') p++;
        if (p < end && *p != '\n' && p - start < margin) margin = p - start;
        while (p < end && *p++ != '\n') ;
    }
    return margin == PY_SSIZE_T_MAX ? 0 : margin;
}

static char *copy_line(char *to, const char **p, const char *end)
{
    while (*p < end)
        if ((*to++ = *(*p)++) == '\n') break;
    return to;
}

PyObject *compile_clean_doc(PyObject *doc)
{
    Py_ssize_t size;
    if (!(doc = PyObject_CallMethod(doc, "expandtabs", NULL))) return NULL;
    const char *text = PyUnicode_AsUTF8AndSize(doc, &size), *end = text + size, *p = text;
    if (!text) {
        Py_DECREF(doc);
        return NULL;
    }
    Py_ssize_t margin = doc_margin(text, end);
    while (p < end && *p == ' ') p++;
    if (p == text && margin == 0) return doc;
    char *buffer = PyMem_Malloc((size_t)size + 1), *to = buffer;
    PyObject *clean = NULL;
    if (!buffer) PyErr_NoMemory();
    else {
        to = copy_line(to, &p, end);
        while (p < end) {
            for (Py_ssize_t i = 0; i < margin && p < end && *p == ' '; i++) p++;
            to = copy_line(to, &p, end);
        }
        clean = PyUnicode_FromStringAndSize(buffer, to - buffer);
        PyMem_Free(buffer);
    }
    Py_DECREF(doc);
    return clean;
}

/* ---- text and trees to code ---------------------------------------------------------------------------------------------- */

/* A code object, or with PyCF_ONLY_AST an ast object. */
static PyObject *finish(mod_ty tree, PyObject *filename, PyCompilerFlags *flags, int optimize, Arena *arena)
{
    if (!tree) return NULL;
    if (!flags || !(flags->cf_flags & PyCF_ONLY_AST)) return compile_tree(tree, filename, flags, optimize, arena);
    if ((flags->cf_flags & PyCF_OPTIMIZED_AST) == PyCF_OPTIMIZED_AST) {
        Location last;
        int features = 0;
        if (future_scan(tree, filename, &features, &last) < 0) return NULL;
        flags->cf_flags |= features;
        if (compile_fold(tree, filename, optimize < 0 ? compile_default_level() : optimize, flags->cf_flags, arena) < 0) return NULL;
    }
    return tree_to_object(tree);
}

static int mode_of_start(int start) { return start == Py_eval_input ? 1 : start == Py_single_input ? 2 : start == Py_func_type_input ? 3 : 0; }

/* compile() of an ast object: with PyCF_ONLY_AST alone it is returned as it is. */
static PyObject *compile_object(PyObject *source, PyObject *filename, int start, PyCompilerFlags *flags, int optimize, Arena *arena)
{
    int ast_flags = flags ? flags->cf_flags & PyCF_OPTIMIZED_AST : 0;
    if (ast_flags == PyCF_ONLY_AST) return Py_NewRef(source);
    int mode = mode_of_start(start);
    mod_ty tree = tree_from_object(arena, source, mode);
    if (!tree || tree_validate(tree) < 0) return NULL;
    return finish(tree, filename, flags, optimize, arena);
}

PyObject *compile_source(PyObject *source, PyObject *filename, int start, PyCompilerFlags *flags, int optimize,
                         const char *function, const char *what)
{
    int is_tree = tree_is_object(source);
    if (is_tree < 0) return NULL;
    Arena *arena = arena_new();
    if (!arena) return NULL;
    PyObject *result;
    if (is_tree) result = compile_object(source, filename, start, flags, optimize, arena);
    else result = finish(syntax_parse_object(arena, source, filename, start, flags, function, what), filename, flags, optimize, arena);
    arena_free(arena);
    return result;
}

PyObject *Py_CompileStringObject(const char *text, PyObject *filename, int start, PyCompilerFlags *flags, int optimize)
{
    Arena *arena = arena_new();
    if (!arena) return NULL;
    mod_ty tree = syntax_parse_bytes(arena, text, (Py_ssize_t)strlen(text), filename, start, flags);
    PyObject *result = finish(tree, filename, flags, optimize, arena);
    arena_free(arena);
    return result;
}

PyObject *Py_CompileStringExFlags(const char *text, const char *filename, int start, PyCompilerFlags *flags, int optimize)
{
    PyObject *name = PyUnicode_DecodeFSDefault(filename);
    if (!name) return NULL;
    PyObject *result = Py_CompileStringObject(text, name, start, flags, optimize);
    Py_DECREF(name);
    return result;
}

#undef Py_CompileString
#undef Py_CompileStringFlags
PyAPI_FUNC(PyObject *) Py_CompileString(const char *text, const char *filename, int start);
PyAPI_FUNC(PyObject *) Py_CompileStringFlags(const char *text, const char *filename, int start, PyCompilerFlags *flags);

PyObject *Py_CompileString(const char *text, const char *filename, int start)
{
    return Py_CompileStringExFlags(text, filename, start, NULL, -1);
}

PyObject *Py_CompileStringFlags(const char *text, const char *filename, int start, PyCompilerFlags *flags)
{
    return Py_CompileStringExFlags(text, filename, start, flags, -1);
}

/* ---- stack effects, for whoever writes bytecode ------------------------------------------------------------------------ */

int PyCompile_OpcodeStackEffectWithJump(int opcode, int oparg, int jump)
{
    if (jump >= 0) return opcode_stack_effect(opcode, oparg, jump);
    int taken = opcode_stack_effect(opcode, oparg, 1), falls = opcode_stack_effect(opcode, oparg, 0);
    return taken > falls ? taken : falls;
}

int PyCompile_OpcodeStackEffect(int opcode, int oparg) { return PyCompile_OpcodeStackEffectWithJump(opcode, oparg, -1); }

_Static_assert((int)STACK_EFFECT_INVALID == PY_INVALID_STACK_EFFECT, "one name for it here, one there");
