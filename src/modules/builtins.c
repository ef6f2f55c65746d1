/* The builtins module: its functions about single objects, its constants and its types. The other functions are in builtins_*.c. */
#include "builtins_private.h"

BUILTIN_O(builtins, abs, "($module, x, /)", "Return the absolute value of the argument.") { return PyNumber_Absolute(arg); }
BUILTIN_O(builtins, ascii, "($module, obj, /)", "Return an ASCII-only representation of an object.") { return PyObject_ASCII(arg); }
BUILTIN_O(builtins, repr, "($module, obj, /)", "Return the canonical string representation of the object.") { return PyObject_Repr(arg); }
BUILTIN_O(builtins, bin, "($module, number, /)", "Return the binary representation of an integer.\n\n   >>> bin(2796202)\n   '0b1010101010101010101010'\n") { return PyNumber_ToBase(arg, 2); }
BUILTIN_O(builtins, oct, "($module, number, /)", "Return the octal representation of an integer.\n\n   >>> oct(342391)\n   '0o1234567'\n") { return PyNumber_ToBase(arg, 8); }
BUILTIN_O(builtins, hex, "($module, number, /)", "Return the hexadecimal representation of an integer.\n\n   >>> hex(12648430)\n   '0xc0ffee'\n") { return PyNumber_ToBase(arg, 16); }
BUILTIN_O(builtins, callable, "($module, obj, /)", "Return whether the object is callable (i.e., some kind of function).")
{
    return PyBool_FromLong(PyCallable_Check(arg));
}

BUILTIN_O(builtins, hash, "($module, obj, /)", "Return the hash value for the given object.")
{
    Py_hash_t hash = PyObject_Hash(arg);
    return hash == -1 && PyErr_Occurred() ? NULL : PyLong_FromSsize_t(hash);
}

BUILTIN_O(builtins, id, "($module, obj, /)", "Return the identity of an object.")
{
    PyObject *id = PyLong_FromVoidPtr(arg);
    if (id && PySys_Audit("builtins.id", "O", id) < 0) Py_CLEAR(id);
    return id;
}

BUILTIN_O(builtins, len, "($module, obj, /)", "Return the number of items in a container.")
{
    Py_ssize_t n = PyObject_Size(arg);
    return n < 0 ? NULL : PyLong_FromSsize_t(n);
}

BUILTIN_O(builtins, chr, "($module, i, /)", "Return a Unicode string of one character with ordinal i; 0 <= i <= 0x10ffff.")
{
    int overflow;
    long n = PyLong_AsLongAndOverflow(arg, &overflow);
    if (n == -1 && PyErr_Occurred()) return NULL;
    if (overflow || n < 0 || n > 0x10ffff) return PyErr_Format(PyExc_ValueError, "chr() arg not in range(0x110000)");
    return PyUnicode_FromOrdinal((int)n);
}

BUILTIN_O(builtins, ord, "($module, character, /)", "Return the ordinal value of a character.")
{
    Py_ssize_t n;
    if (PyUnicode_Check(arg)) {
        if ((n = PyUnicode_GET_LENGTH(arg)) == 1) return PyLong_FromLong((long)PyUnicode_READ_CHAR(arg, 0));
    }
    else if (PyBytes_Check(arg)) {
        if ((n = PyBytes_GET_SIZE(arg)) == 1) return PyLong_FromLong((unsigned char)*PyBytes_AS_STRING(arg));
    }
    else if (PyByteArray_Check(arg)) {
        if ((n = PyByteArray_GET_SIZE(arg)) == 1) return PyLong_FromLong((unsigned char)*PyByteArray_AS_STRING(arg));
    }
    else return PyErr_Format(PyExc_TypeError, "ord() expected string of length 1, but %.200s found", Py_TYPE(arg)->tp_name);
    return PyErr_Format(PyExc_TypeError, "ord() expected a character, but string of length %zd found", n);
}

BUILTIN(builtins, divmod, POSITIONAL, "($module, x, y, /)", "Return the tuple (x//y, x%y).  Invariant: div*y + mod == x.")
{
    return PyNumber_Divmod(arg[0], arg[1]);
}

BUILTIN(builtins, pow, KEYWORDS, "($module, /, base, exp, mod=None)", "Equivalent to base**exp with 2 arguments or base**exp % mod with 3 arguments.")
{
    return PyNumber_Power(arg[0], arg[1], arg[2] ? arg[2] : Py_None);
}

BUILTIN(builtins, round, KEYWORDS, "($module, /, number, ndigits=None)",
        "Round a number to a given precision in decimal digits; to an integer when ndigits is omitted or None.")
{
    PyObject *method = _PyType_Lookup(Py_TYPE(arg[0]), STR(__round__)), *bound;
    if (!method) return PyErr_Format(PyExc_TypeError, "type %.100s doesn't define __round__ method", Py_TYPE(arg[0])->tp_name);
    Py_INCREF(method);
    descrgetfunc get = Py_TYPE(method)->tp_descr_get;
    bound = get ? get(method, arg[0], (PyObject *)Py_TYPE(arg[0])) : Py_NewRef(method);
    Py_DECREF(method);
    if (!bound) return NULL;
    PyObject *result = arg[1] && arg[1] != Py_None ? PyObject_CallOneArg(bound, arg[1]) : PyObject_CallNoArgs(bound);
    Py_DECREF(bound);
    return result;
}

BUILTIN(builtins, format, POSITIONAL, "($module, value, format_spec='', /)", "Return type(value).__format__(value, format_spec).")
{
    if (arg[1] && !PyUnicode_Check(arg[1])) return PyErr_Format(PyExc_TypeError, "format() argument 2 must be str, not %T", arg[1]);
    return PyObject_Format(arg[0], arg[1]);
}

BUILTIN(builtins, isinstance, POSITIONAL, "($module, obj, class_or_tuple, /)",
        "Return whether an object is an instance of a class, of one of a tuple of classes, or of a union.")
{
    int yes = PyObject_IsInstance(arg[0], arg[1]);
    return yes < 0 ? NULL : PyBool_FromLong(yes);
}

BUILTIN(builtins, issubclass, POSITIONAL, "($module, cls, class_or_tuple, /)",
        "Return whether 'cls' is derived from another class, from one of a tuple of classes, or is the same class.")
{
    int yes = PyObject_IsSubclass(arg[0], arg[1]);
    return yes < 0 ? NULL : PyBool_FromLong(yes);
}

/* ---- attributes --------------------------------------------------------------------------------------------------------------- */

static PyObject *builtins_getattr(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    if (nargs < 2 || nargs > 3)
        return PyErr_Format(PyExc_TypeError, nargs < 2 ? "getattr expected at least 2 arguments, got %zd" : "getattr expected at most 3 arguments, got %zd", nargs);
    if (!PyUnicode_Check(args[1])) return PyErr_Format(PyExc_TypeError, "attribute name must be string, not '%.200s'", Py_TYPE(args[1])->tp_name);
    if (nargs == 2) return PyObject_GetAttr(args[0], args[1]);
    PyObject *value;
    return PyObject_GetOptionalAttr(args[0], args[1], &value) == 0 ? Py_NewRef(args[2]) : value;
}

BUILTIN(builtins, hasattr, POSITIONAL, "($module, obj, name, /)", "Return whether the object has an attribute with the given name.")
{
    PyObject *value;
    if (!PyUnicode_Check(arg[1])) return PyErr_Format(PyExc_TypeError, "attribute name must be string, not '%.200s'", Py_TYPE(arg[1])->tp_name);
    int found = PyObject_GetOptionalAttr(arg[0], arg[1], &value);
    Py_XDECREF(value);
    return found < 0 ? NULL : PyBool_FromLong(found);
}

BUILTIN(builtins, setattr, POSITIONAL, "($module, obj, name, value, /)", "Sets the named attribute on the given object to the specified value.")
{
    if (PyObject_SetAttr(arg[0], arg[1], arg[2]) < 0) return NULL;
    Py_RETURN_NONE;
}

BUILTIN(builtins, delattr, POSITIONAL, "($module, obj, name, /)", "Deletes the named attribute from the given object.")
{
    if (PyObject_DelAttr(arg[0], arg[1]) < 0) return NULL;
    Py_RETURN_NONE;
}

static PyObject *builtins_dir(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    if (nargs > 1) return PyErr_Format(PyExc_TypeError, "dir expected at most 1 argument, got %zd", nargs);
    return PyObject_Dir(nargs ? args[0] : NULL);
}

static PyObject *builtins_vars(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    PyObject *dict;
    if (nargs > 1) return PyErr_Format(PyExc_TypeError, "vars expected at most 1 argument, got %zd", nargs);
    if (nargs == 0) return PyEval_GetFrameLocals();
    if (PyObject_GetOptionalAttr(args[0], STR(__dict__), &dict) == 0)
        PyErr_SetString(PyExc_TypeError, "vars() argument must have __dict__ attribute");
    return dict;
}

BUILTIN_NOARGS(builtins, globals, "($module, /)", "Return the dictionary containing the current scope's global variables.")
{
    return Py_XNewRef(PyEval_GetGlobals());
}

BUILTIN_NOARGS(builtins, locals, "($module, /)", "Return a dictionary containing the current scope's local variables.")
{
    return PyEval_GetFrameLocals();
}

PyMethodDef builtins_object_methods[] = {
    METHOD(builtins, abs), METHOD(builtins, ascii), METHOD(builtins, repr), METHOD(builtins, bin), METHOD(builtins, oct), METHOD(builtins, hex),
    METHOD(builtins, callable), METHOD(builtins, hash), METHOD(builtins, id), METHOD(builtins, len), METHOD(builtins, chr), METHOD(builtins, ord),
    METHOD(builtins, divmod), METHOD(builtins, pow), METHOD(builtins, round), METHOD(builtins, format), METHOD(builtins, isinstance),
    METHOD(builtins, issubclass), METHOD(builtins, hasattr), METHOD(builtins, setattr), METHOD(builtins, delattr), METHOD(builtins, globals),
    METHOD(builtins, locals),
    { "getattr", (PyCFunction)(void (*)(void))builtins_getattr, METH_FASTCALL,
      "getattr(object, name[, default]) -> value\n\nGet a named attribute from an object; default, if given, when there is none." },
    { "dir", (PyCFunction)(void (*)(void))builtins_dir, METH_FASTCALL,
      "dir([object]) -> list of strings\n\nThe names in the current scope, or an alphabetized list of attributes of the object." },
    { "vars", (PyCFunction)(void (*)(void))builtins_vars, METH_FASTCALL,
      "vars([object]) -> dictionary\n\nWithout arguments, equivalent to locals(). With an argument, equivalent to object.__dict__." },
    { 0 }
};

/* ---- the module ------------------------------------------------------------------------------------------------------------------ */

static struct PyModuleDef builtins_definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "builtins",
    .m_doc = "Built-in functions, types, exceptions, and other objects.\n\n"
             "This module provides direct access to all 'built-in' identifiers of Python; for example, builtins.len is the full name "
             "for the built-in function len().",
};

static int add_types(PyObject *dict)
{
    const struct { const char *name; PyTypeObject *type; } types[] = {
        { "bool", &PyBool_Type }, { "memoryview", &PyMemoryView_Type }, { "bytearray", &PyByteArray_Type }, { "bytes", &PyBytes_Type },
        { "classmethod", &PyClassMethod_Type }, { "complex", &PyComplex_Type }, { "dict", &PyDict_Type }, { "enumerate", &PyEnum_Type },
        { "filter", &PyFilter_Type }, { "float", &PyFloat_Type }, { "frozenset", &PyFrozenSet_Type }, { "property", &PyProperty_Type },
        { "int", &PyLong_Type }, { "list", &PyList_Type }, { "map", &PyMap_Type }, { "object", &PyBaseObject_Type },
        { "range", &PyRange_Type }, { "reversed", &PyReversed_Type }, { "set", &PySet_Type }, { "slice", &PySlice_Type },
        { "staticmethod", &PyStaticMethod_Type }, { "str", &PyUnicode_Type }, { "super", &PySuper_Type }, { "tuple", &PyTuple_Type },
        { "type", &PyType_Type }, { "zip", &PyZip_Type },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(types); i++)
        if (PyDict_SetItemString(dict, types[i].name, (PyObject *)types[i].type) < 0) return -1;
    return 0;
}

PyObject *builtins_module_new(void)
{
    PyMethodDef *const tables[] = { builtins_code_methods, builtins_stream_methods, builtins_iteration_methods, builtins_object_methods };
    PyObject *module = PyModule_Create2(&builtins_definition, PYTHON_API_VERSION);
    if (!module) return NULL;
    PyObject *dict = PyModule_GetDict(module);
    for (size_t i = 0; i < ARRAY_LENGTH(tables); i++)
        if (PyModule_AddFunctions(module, tables[i]) < 0) goto fail;
    if (PyDict_SetItemString(dict, "None", Py_None) < 0 || PyDict_SetItemString(dict, "Ellipsis", Py_Ellipsis) < 0
        || PyDict_SetItemString(dict, "NotImplemented", Py_NotImplemented) < 0 || PyDict_SetItemString(dict, "False", Py_False) < 0
        || PyDict_SetItemString(dict, "True", Py_True) < 0 || add_types(dict) < 0) goto fail;
    bool optimized = interp_get()->runtime.config.optimization_level > 0;
    if (PyDict_SetItem(dict, STR(__debug__), optimized ? Py_False : Py_True) < 0) goto fail;
    if (PyDict_GetItemStringRef(dict, "__import__", &interp_get()->eval.import_function) < 0) goto fail;
    EvalState *eval = &interp_get()->eval;
    if (PyDict_GetItemStringRef(dict, "len", &eval->builtin_len) < 0 || PyDict_GetItemStringRef(dict, "isinstance", &eval->builtin_isinstance) < 0)
        goto fail;
    if (eval_init(PyThreadState_Get()) < 0) goto fail;
    return module;
fail:
    Py_DECREF(module);
    return NULL;
}
