/* builtins: code: compile, eval, exec, __build_class__, __import__. */
#include "builtins_private.h"

#include "compile/compile.h"
#include "objects/code.h"

/* ---- compile, eval, exec ------------------------------------------------------------------------------------------------------ */

enum { COMPILE_FLAGS = PyCF_MASK | PyCF_MASK_OBSOLETE | PyCF_COMPILE_MASK };

BUILTIN(builtins, compile, KEYWORDS,
        "($module, /, source, filename, mode, flags=0,\n        dont_inherit=False, optimize=-1, *, _feature_version=-1)",
        "Compile source (str, bytes or an AST) into a code object that can be executed by exec() or eval().")
{
    static const int starts[] = { Py_file_input, Py_eval_input, Py_single_input, Py_func_type_input };
    PyObject *filename, *result = NULL;
    int flags = 0, optimize = -1, dont_inherit = 0, feature_version = -1, kind = -1;
    if (!PyUnicode_FSDecoder(arg[1], &filename)) return NULL;
    if (!PyUnicode_Check(arg[2])) {
        PyErr_Format(PyExc_TypeError, "compile() argument 'mode' must be str, not %T", arg[2]);
        goto done;
    }
    const char *mode = PyUnicode_AsUTF8(arg[2]);
    if (!mode) goto done;
    if (arg[3] && (flags = PyLong_AsInt(arg[3])) == -1 && PyErr_Occurred()) goto done;
    if (arg[4] && (dont_inherit = PyObject_IsTrue(arg[4])) < 0) goto done;
    if (arg[5] && (optimize = PyLong_AsInt(arg[5])) == -1 && PyErr_Occurred()) goto done;
    if (arg[6] && (feature_version = PyLong_AsInt(arg[6])) == -1 && PyErr_Occurred()) goto done;
    PyCompilerFlags cf = { .cf_flags = flags | PyCF_SOURCE_IS_UTF8, .cf_feature_version = PY_MINOR_VERSION };
    if (feature_version >= 0 && (flags & PyCF_ONLY_AST)) cf.cf_feature_version = feature_version;
    if (flags & ~COMPILE_FLAGS) {
        PyErr_SetString(PyExc_ValueError, "compile(): unrecognised flags");
        goto done;
    }
    if (optimize < -1 || optimize > 2) {
        PyErr_SetString(PyExc_ValueError, "compile(): invalid optimize value");
        goto done;
    }
    if (!dont_inherit) PyEval_MergeCompilerFlags(&cf);
    if (strcmp(mode, "exec") == 0) kind = 0;
    else if (strcmp(mode, "eval") == 0) kind = 1;
    else if (strcmp(mode, "single") == 0) kind = 2;
    else if (strcmp(mode, "func_type") == 0) {
        if (!(flags & PyCF_ONLY_AST)) {
            PyErr_SetString(PyExc_ValueError, "compile() mode 'func_type' requires flag PyCF_ONLY_AST");
            goto done;
        }
        kind = 3;
    }
    else {
        PyErr_Format(PyExc_ValueError, "compile() mode must be %s",
                     flags & PyCF_ONLY_AST ? "'exec', 'eval', 'single' or 'func_type'" : "'exec', 'eval' or 'single'");
        goto done;
    }
    result = compile_source(arg[0], filename, starts[kind], &cf, optimize, "compile", "string, bytes or AST");
done:
    Py_DECREF(filename);
    return result;
}

/* The namespaces that eval() and exec() run in; globals gets __builtins__ if it has none. Both BORROWED. 0 or -1. */
static int namespaces(const char *function, PyObject **globals, PyObject **locals, PyObject **owned_locals)
{
    *owned_locals = NULL;
    if (*globals == Py_None) {
        *globals = PyEval_GetGlobals();
        if (!*globals) {
            PyErr_Format(PyExc_SystemError, "%s must be given globals and locals when called without a frame", function);
            return -1;
        }
        if (*locals == Py_None && !(*locals = *owned_locals = PyEval_GetFrameLocals())) return -1;
    }
    else if (*locals == Py_None) *locals = *globals;
    int found = PyDict_Contains(*globals, STR(__builtins__));
    if (found == 0) found = PyDict_SetItem(*globals, STR(__builtins__), PyEval_GetBuiltins());
    if (found >= 0) return 0;
    Py_CLEAR(*owned_locals);
    return -1;
}

static PyObject *compile_text(PyObject *source, int start, const char *function)
{
    PyCompilerFlags cf = { .cf_flags = PyCF_SOURCE_IS_UTF8, .cf_feature_version = PY_MINOR_VERSION };
    PyEval_MergeCompilerFlags(&cf);
    PyObject *filename = PyUnicode_FromString("<string>"), *trimmed = NULL;
    if (!filename) return NULL;
    if (start == Py_eval_input && PyUnicode_Check(source)) {      /* leading blanks are no indentation in an expression */
        Py_ssize_t from = 0, n = PyUnicode_GET_LENGTH(source);
        while (from < n && (PyUnicode_READ_CHAR(source, from) == ' ' || PyUnicode_READ_CHAR(source, from) == '\t')) from++;
        if (from) source = trimmed = PyUnicode_Substring(source, from, n);
    }
    else if (start == Py_eval_input && PyBytes_Check(source)) {
        const char *p = PyBytes_AS_STRING(source), *end = p + PyBytes_GET_SIZE(source);
        while (p < end && (*p == ' ' || *p == '\t')) p++;
        if (p != PyBytes_AS_STRING(source)) source = trimmed = PyBytes_FromStringAndSize(p, end - p);
    }
    PyObject *code = source ? compile_source(source, filename, start, &cf, -1, function, "string, bytes or code") : NULL;
    Py_XDECREF(trimmed);
    Py_DECREF(filename);
    return code;
}

BUILTIN(builtins, eval, KEYWORDS, "($module, source, /, globals=None, locals=None)",
        "Evaluate source, a string with an expression or a code object, in the context of globals and locals.")
{
    PyObject *globals = arg[1] ? arg[1] : Py_None, *locals = arg[2] ? arg[2] : Py_None, *owned, *result = NULL;
    if (locals != Py_None && !PyMapping_Check(locals)) return PyErr_Format(PyExc_TypeError, "locals must be a mapping");
    if (globals != Py_None && !PyDict_Check(globals))
        return PyErr_Format(PyExc_TypeError, PyMapping_Check(globals) ? "globals must be a real dict; try eval(expr, {}, mapping)" : "globals must be a dict");
    if (namespaces("eval", &globals, &locals, &owned) < 0) return NULL;
    PyObject *code = NULL;
    if (PyCode_Check(arg[0])) {
        if (PySys_Audit("exec", "O", arg[0]) < 0) goto done;
        if (PyCode_GetNumFree((PyCodeObject *)arg[0]) > 0) PyErr_SetString(PyExc_TypeError, "code object passed to eval() may not contain free variables");
        else code = Py_NewRef(arg[0]);
    }
    else if ((code = compile_text(arg[0], Py_eval_input, "eval")) && PySys_Audit("exec", "O", code) < 0) Py_CLEAR(code);
    if (code) result = PyEval_EvalCode(code, globals, locals);
    Py_XDECREF(code);
done:
    Py_XDECREF(owned);
    return result;
}

static bool closure_fits(PyObject *closure, Py_ssize_t n)
{
    if (!PyTuple_CheckExact(closure) || PyTuple_GET_SIZE(closure) != n) return false;
    for (Py_ssize_t i = 0; i < n; i++)
        if (!PyCell_Check(PyTuple_GET_ITEM(closure, i))) return false;
    return true;
}

BUILTIN(builtins, exec, KEYWORDS, "($module, source, /, globals=None, locals=None, *, closure=None)",
        "Execute source, a string with statements or a code object, in the context of globals and locals.")
{
    PyObject *globals = arg[1] ? arg[1] : Py_None, *locals = arg[2] ? arg[2] : Py_None, *owned, *result = NULL;
    PyObject *closure = arg[3] && arg[3] != Py_None ? arg[3] : NULL;
    if (globals != Py_None && !PyDict_Check(globals))
        return PyErr_Format(PyExc_TypeError, "exec() globals must be a dict, not %.100s", Py_TYPE(globals)->tp_name);
    if (locals != Py_None && !PyMapping_Check(locals))
        return PyErr_Format(PyExc_TypeError, "locals must be a mapping or None, not %.100s", Py_TYPE(locals)->tp_name);
    if (namespaces("exec", &globals, &locals, &owned) < 0) return NULL;
    if (PyCode_Check(arg[0])) {
        Py_ssize_t nfree = PyCode_GetNumFree((PyCodeObject *)arg[0]);
        if (nfree == 0 && closure) PyErr_SetString(PyExc_TypeError, "cannot use a closure with this code object");
        else if (nfree && (!closure || !closure_fits(closure, nfree)))
            PyErr_Format(PyExc_TypeError, "code object requires a closure of exactly length %zd", nfree);
        else if (PySys_Audit("exec", "O", arg[0]) >= 0) {
            result = closure ? PyEval_EvalCodeEx(arg[0], globals, locals, NULL, 0, NULL, 0, NULL, 0, NULL, closure)
                             : PyEval_EvalCode(arg[0], globals, locals);
        }
    }
    else if (closure) PyErr_SetString(PyExc_TypeError, "closure can only be used when source is a code object");
    else {
        PyObject *code = compile_text(arg[0], Py_file_input, "exec");
        if (code && PySys_Audit("exec", "O", code) == 0) result = PyEval_EvalCode(code, globals, locals);
        Py_XDECREF(code);
    }
    Py_XDECREF(owned);
    if (!result) return NULL;
    Py_DECREF(result);
    Py_RETURN_NONE;
}

BUILTIN(builtins, __import__, KEYWORDS, "($module, /, name, globals=None, locals=None, fromlist=(),\n           level=0)",
        "Import a module. This function is for use by the interpreter: import_module() of importlib is for programs.")
{
    int level = 0;
    if (arg[4] && (level = PyLong_AsInt(arg[4])) == -1 && PyErr_Occurred()) return NULL;
    return PyImport_ImportModuleLevelObject(arg[0], arg[1], arg[2], arg[3], level);
}

/* ---- class statements ----------------------------------------------------------------------------------------------------------- */

/* bases with each object that has __mro_entries__ replaced by what that returns. NEW (bases itself when nothing changes). */
static PyObject *resolve_bases(PyObject *const *bases, Py_ssize_t n)
{
    PyObject *list = NULL;
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *base = bases[i], *method = NULL, *entries;
        if (!PyType_Check(base) && PyObject_GetOptionalAttr(base, STR(__mro_entries__), &method) < 0) goto fail;
        if (!method) {
            if (list && PyList_Append(list, base) < 0) goto fail;
            continue;
        }
        PyObject *original = PyTuple_New(n);
        for (Py_ssize_t k = 0; original && k < n; k++) PyTuple_SET_ITEM(original, k, Py_NewRef(bases[k]));
        entries = original ? PyObject_CallOneArg(method, original) : NULL;
        Py_XDECREF(original);
        Py_DECREF(method);
        if (!entries) goto fail;
        if (!PyTuple_Check(entries)) {
            PyErr_SetString(PyExc_TypeError, "__mro_entries__ must return a tuple");
            Py_DECREF(entries);
            goto fail;
        }
        if (!list) {
            if (!(list = PyList_New(i))) {
                Py_DECREF(entries);
                goto fail;
            }
            for (Py_ssize_t k = 0; k < i; k++) PyList_SET_ITEM(list, k, Py_NewRef(bases[k]));
        }
        int status = PyList_SetSlice(list, PyList_GET_SIZE(list), PyList_GET_SIZE(list), entries);
        Py_DECREF(entries);
        if (status < 0) goto fail;
    }
    PyObject *result;
    if (list) result = PyList_AsTuple(list);
    else if ((result = PyTuple_New(n)))
        for (Py_ssize_t i = 0; i < n; i++) PyTuple_SET_ITEM(result, i, Py_NewRef(bases[i]));
    Py_XDECREF(list);
    return result;
fail:
    Py_XDECREF(list);
    return NULL;
}

/* The most derived of meta and the bases' metaclasses; NEW. */
static PyObject *most_derived(PyObject *meta, PyObject *bases)
{
    PyTypeObject *winner = (PyTypeObject *)meta;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(bases); i++) {
        PyTypeObject *type = Py_TYPE(PyTuple_GET_ITEM(bases, i));
        if (PyType_IsSubtype(winner, type)) continue;
        if (!PyType_IsSubtype(type, winner)) {
            PyErr_SetString(PyExc_TypeError, "metaclass conflict: the metaclass of a derived class must be a (non-strict) subclass "
                                             "of the metaclasses of all its bases");
            return NULL;
        }
        winner = type;
    }
    return Py_NewRef(winner);
}

static PyObject *class_namespace(PyObject *meta, bool is_class, PyObject *name, PyObject *bases, PyObject *keywords)
{
    PyObject *prepare, *namespace = NULL;
    if (PyObject_GetOptionalAttr(meta, STR(__prepare__), &prepare) < 0) return NULL;
    if (!prepare) return PyDict_New();
    PyObject *arguments[2] = { name, bases };
    namespace = PyObject_VectorcallDict(prepare, arguments, 2, keywords);
    Py_DECREF(prepare);
    if (namespace && !PyMapping_Check(namespace)) {
        PyErr_Format(PyExc_TypeError, "%.200s.__prepare__() must return a mapping, not %.200s",
                     is_class ? ((PyTypeObject *)meta)->tp_name : "<metaclass>", Py_TYPE(namespace)->tp_name);
        Py_CLEAR(namespace);
    }
    return namespace;
}

/* type.__new__ must have got the __classcell__ that the body returned, and filled it with this very class. */
static int check_class_cell(PyObject *cell, PyObject *class, PyObject *name)
{
    if (cell == Py_None || !PyType_Check(class) || !PyCell_Check(cell)) return 0;
    PyObject *content = PyCell_Get(cell);
    int ok = content == class ? 0 : -1;
    if (!content) PyErr_Format(PyExc_RuntimeError, "__class__ not set defining %.200R as %.200R. Was __classcell__ propagated to type.__new__?", name, class);
    else if (ok < 0) PyErr_Format(PyExc_TypeError, "__class__ set to %.200R defining %.200R as %.200R", content, name, class);
    Py_XDECREF(content);
    return ok;
}

static PyObject *builtins___build_class__(PyObject *module, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    PyObject *bases = NULL, *keywords = NULL, *meta = NULL, *namespace = NULL, *cell = NULL, *class = NULL;
    bool is_class = true;
    if (nargs < 2) return PyErr_Format(PyExc_TypeError, "__build_class__: not enough arguments");
    PyObject *func = args[0], *name = args[1];
    if (!PyFunction_Check(func)) return PyErr_Format(PyExc_TypeError, "__build_class__: func must be a function");
    if (!PyUnicode_Check(name)) return PyErr_Format(PyExc_TypeError, "__build_class__: name is not a string");
    if (!(bases = resolve_bases(args + 2, nargs - 2))) return NULL;

    if (kwnames) {
        if (!(keywords = PyDict_New())) goto done;
        for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(kwnames); i++)
            if (PyDict_SetItem(keywords, PyTuple_GET_ITEM(kwnames, i), args[nargs + i]) < 0) goto done;
        if (PyDict_Pop(keywords, STR(metaclass), &meta) < 0) goto done;
        if (meta) is_class = PyType_Check(meta);
    }
    if (!meta) meta = Py_NewRef(PyTuple_GET_SIZE(bases) ? (PyObject *)Py_TYPE(PyTuple_GET_ITEM(bases, 0)) : (PyObject *)&PyType_Type);
    if (is_class) {
        PyObject *winner = most_derived(meta, bases);
        if (!winner) goto done;
        Py_SETREF(meta, winner);
    }
    if (!(namespace = class_namespace(meta, is_class, name, bases, keywords))) goto done;
    if (!(cell = eval_function_in(PyThreadState_Get(), func, namespace, NULL, 0, NULL))) goto done;
    bool replaced = PyTuple_GET_SIZE(bases) != nargs - 2;
    for (Py_ssize_t i = 0; !replaced && i < nargs - 2; i++) replaced = PyTuple_GET_ITEM(bases, i) != args[2 + i];
    if (replaced) {
        PyObject *original = PyTuple_New(nargs - 2);
        if (!original) goto done;
        for (Py_ssize_t i = 0; i < nargs - 2; i++) PyTuple_SET_ITEM(original, i, Py_NewRef(args[2 + i]));
        int status = PyObject_SetItem(namespace, STR(__orig_bases__), original);
        Py_DECREF(original);
        if (status < 0) goto done;
    }
    PyObject *arguments[3] = { name, bases, namespace };
    class = PyObject_VectorcallDict(meta, arguments, 3, keywords);
    if (class && check_class_cell(cell, class, name) < 0) Py_CLEAR(class);
done:
    Py_XDECREF(cell);
    Py_XDECREF(namespace);
    Py_XDECREF(meta);
    Py_XDECREF(keywords);
    Py_XDECREF(bases);
    return class;
}

PyMethodDef builtins_code_methods[] = {
    { "__build_class__", (PyCFunction)(void (*)(void))builtins___build_class__, METH_FASTCALL | METH_KEYWORDS,
      "__build_class__(func, name, /, *bases, [metaclass], **kwds) -> class\n\nInternal helper function used by the class statement." },
    METHOD(builtins, __import__), METHOD(builtins, compile), METHOD(builtins, eval), METHOD(builtins, exec),
    { 0 }
};
