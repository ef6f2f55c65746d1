/* _imp: what importlib needs from the interpreter. */
#include "runtime/state.h"
#include "runtime/runtime_private.h"
#include "runtime/import_private.h"
#include "capi/args.h"

#include <string.h>

static int want_str(PyObject *o, const char *function)
{
    if (PyUnicode_Check(o)) return 0;
    PyErr_Format(PyExc_TypeError, "%s must be str, not %.50s", function, o == Py_None ? "None" : Py_TYPE(o)->tp_name);
    return -1;
}

BUILTIN_NOARGS(imp, lock_held, "($module, /)",
               "Return True if the import lock is currently held, else False.\n\n"
               "On platforms without threads, return False.")
{
    return PyBool_FromLong(import_lock_held());
}

BUILTIN_NOARGS(imp, acquire_lock, "($module, /)",
               "Acquires the interpreter's import lock for the current thread.\n\n"
               "This lock should be used by import hooks to ensure thread-safety when importing\n"
               "modules. On platforms without threads, this function does nothing.")
{
    import_lock_acquire();
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(imp, release_lock, "($module, /)",
               "Release the interpreter's import lock.\n\n"
               "On platforms without threads, this function does nothing.")
{
    if (import_lock_release() < 0) {
        PyErr_SetString(PyExc_RuntimeError, "not holding the import lock");
        return NULL;
    }
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(imp, extension_suffixes, "($module, /)", "Returns the list of file suffixes used to identify extension modules.")
{
    PyObject *list = PyList_New(0);
    for (const char *const *suffix = import_suffixes; list && *suffix; suffix++) {
        PyObject *item = PyUnicode_FromString(*suffix);
        if (!item || PyList_Append(list, item) < 0) Py_CLEAR(list);
        Py_XDECREF(item);
    }
    return list;
}

BUILTIN_O(imp, create_builtin, "($module, spec, /)", "Create an extension module.")
{
    PyObject *name = PyObject_GetAttr(arg, STR(name));
    if (!name) return NULL;
    PyObject *module = NULL;
    if (!PyUnicode_Check(name)) PyErr_Format(PyExc_TypeError, "name must be string, not %.200s", Py_TYPE(name)->tp_name);
    else module = import_create_builtin(arg, name);
    Py_DECREF(name);
    return module;
}

BUILTIN(imp, create_dynamic, POSITIONAL, "($module, spec, file=<unrepresentable>, /)", "Create an extension module.")
{
    PyObject *module = NULL, *path = NULL, *name = PyObject_GetAttr(arg[0], STR(name));
    if (!name) return NULL;
    if (!(path = PyObject_GetAttr(arg[0], STR(origin)))) goto done;
    if (!PyUnicode_Check(name) || !PyUnicode_Check(path)) {
        PyErr_Format(PyExc_TypeError, "name and origin must be str, not %.200s", Py_TYPE(PyUnicode_Check(name) ? path : name)->tp_name);
        goto done;
    }
    if (PyUnicode_FindChar(path, 0, 0, PyUnicode_GET_LENGTH(path), 1) >= 0) {
        PyErr_SetString(PyExc_ValueError, "embedded null character");
        goto done;
    }
    module = import_create_dynamic(arg[0], name, path);
done:
    Py_DECREF(name);
    Py_XDECREF(path);
    return module;
}

BUILTIN_O(imp, exec_builtin, "($module, mod, /)", "Initialize a built-in module.")
{
    if (import_exec_builtin_or_dynamic(arg) < 0) return NULL;
    return PyLong_FromLong(0);
}

BUILTIN_O(imp, exec_dynamic, "($module, mod, /)", "Initialize an extension module.")
{
    if (import_exec_builtin_or_dynamic(arg) < 0) return NULL;
    return PyLong_FromLong(0);
}

BUILTIN_O(imp, is_builtin, "($module, name, /)", "Returns True if the module name corresponds to a built-in module.")
{
    if (want_str(arg, "is_builtin() argument") < 0) return NULL;
    struct _inittab *entry = inittab_find(arg);
    return PyLong_FromLong(!entry ? 0 : entry->initfunc ? 1 : -1);
}

/* ---- frozen ----------------------------------------------------------------------------------------------------- */

BUILTIN_O(imp, is_frozen, "($module, name, /)", "Returns True if the module name corresponds to a frozen module.")
{
    if (want_str(arg, "is_frozen() argument") < 0) return NULL;
    FrozenModule frozen;
    return PyBool_FromLong(frozen_find(arg, &frozen) == FROZEN_OKAY);
}

BUILTIN_O(imp, is_frozen_package, "($module, name, /)", "Returns True if the module name is of a frozen package.")
{
    if (want_str(arg, "is_frozen_package() argument") < 0) return NULL;
    FrozenModule frozen;
    int status = frozen_find(arg, &frozen);
    if (status != FROZEN_OKAY && status != FROZEN_EXCLUDED) {
        frozen_set_error(status, arg);
        return NULL;
    }
    return PyBool_FromLong(frozen.is_package);
}

BUILTIN(imp, find_frozen, KEYWORDS, "($module, name, /, *, withdata=False)",
        "Return info about the corresponding frozen module (if there is one) or None.\n\n"
        "The returned info (a 3-tuple):\n\n"
        " * data         the raw marshalled bytes\n"
        " * is_package   whether or not it is a package\n"
        " * origname     the originally frozen module's name, or None if not\n"
        "                a stdlib module (this will usually be the same as\n"
        "                the module's current name)")
{
    if (want_str(arg[0], "find_frozen() argument 1") < 0) return NULL;
    int with_data = arg[1] ? PyObject_IsTrue(arg[1]) : 0;
    if (with_data < 0) return NULL;
    FrozenModule frozen;
    int status = frozen_find(arg[0], &frozen);
    if (status == FROZEN_NOT_FOUND || status == FROZEN_DISABLED || status == FROZEN_BAD_NAME) Py_RETURN_NONE;
    if (status != FROZEN_OKAY) {
        frozen_set_error(status, arg[0]);
        return NULL;
    }
    PyObject *data = with_data ? PyMemoryView_FromMemory((char *)(uintptr_t)frozen.code, (Py_ssize_t)frozen.size, PyBUF_READ)
                               : Py_NewRef(Py_None);
    if (!data) return NULL;
    return Py_BuildValue("(NOz)", data, frozen.is_package ? Py_True : Py_False, frozen.origin);
}

BUILTIN(imp, get_frozen_object, POSITIONAL, "($module, name, data=None, /)", "Create a code object for a frozen module.")
{
    if (want_str(arg[0], "get_frozen_object() argument 1") < 0) return NULL;
    FrozenModule frozen = { 0 };
    Py_buffer view = { 0 };
    if (arg[1] && arg[1] != Py_None) {
        if (PyObject_GetBuffer(arg[1], &view, PyBUF_SIMPLE) < 0) return NULL;
        frozen.code = view.buf;
        frozen.size = (size_t)view.len;
        if (!view.len) {
            PyBuffer_Release(&view);
            frozen_set_error(FROZEN_INVALID, arg[0]);
            return NULL;
        }
    }
    else {
        int status = frozen_find(arg[0], &frozen);
        if (status != FROZEN_OKAY) {
            frozen_set_error(status, arg[0]);
            return NULL;
        }
    }
    PyObject *code = frozen_code(&frozen, arg[0]);
    if (view.obj) PyBuffer_Release(&view);
    return code;
}

BUILTIN_O(imp, init_frozen, "($module, name, /)", "Initializes a frozen module.")
{
    if (want_str(arg, "init_frozen() argument") < 0) return NULL;
    int status = PyImport_ImportFrozenModuleObject(arg);
    if (status < 0) return NULL;
    if (status == 0) Py_RETURN_NONE;
    return import_add_module(arg);
}

BUILTIN_NOARGS(imp, _frozen_module_names, "($module, /)", "Returns the list of available frozen modules.")
{
    return frozen_names();
}

BUILTIN_O(imp, _override_frozen_modules_for_tests, "($module, override, /)",
          "(internal-only) Override PyConfig.use_frozen_modules.\n\n"
          "(-1: \"off\", 1: \"on\", 0: no override)\n"
          "See frozen_modules() in Lib/test/support/import_helper.py.")
{
    int value = PyLong_AsInt(arg);
    if (value == -1 && PyErr_Occurred()) return NULL;
    interp_get()->runtime.import.override_frozen_modules = value;
    Py_RETURN_NONE;
}

BUILTIN_O(imp, _override_multi_interp_extensions_check, "($module, override, /)",
          "(internal-only) Override PyInterpreterConfig.check_multi_interp_extensions.\n\n"
          "(-1: \"never\", 1: \"always\", 0: no override)")
{
    int value = PyLong_AsInt(arg);
    if (value == -1 && PyErr_Occurred()) return NULL;
    ImportState *s = &interp_get()->runtime.import;
    if (interp_get() == PyInterpreterState_Main()) {
        PyErr_SetString(PyExc_RuntimeError, "_imp._override_multi_interp_extensions_check() cannot be used in the main interpreter");
        return NULL;
    }
    int old = s->override_multi_interp_check;
    s->override_multi_interp_check = value;
    return PyLong_FromLong(old);
}

/* ---- code ------------------------------------------------------------------------------------------------------- */

static void fix_filename(PyCodeObject *code, PyObject *old, PyObject *new)
{
    if (PyUnicode_Compare(code->co_filename, old)) return;
    Py_SETREF(code->co_filename, Py_NewRef(new));
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(code->co_consts); i++) {
        PyObject *constant = PyTuple_GET_ITEM(code->co_consts, i);
        if (PyCode_Check(constant)) fix_filename((PyCodeObject *)constant, old, new);
    }
}

BUILTIN(imp, _fix_co_filename, POSITIONAL, "($module, code, path, /)",
        "Changes code.co_filename to specify the passed-in file path.\n\n"
        "  code\n    Code object to change.\n  path\n    File path to use.")
{
    if (!PyCode_Check(arg[0])) {
        PyErr_Format(PyExc_TypeError, "_fix_co_filename() argument 1 must be code, not %.50s", Py_TYPE(arg[0])->tp_name);
        return NULL;
    }
    if (want_str(arg[1], "_fix_co_filename() argument 2") < 0) return NULL;
    PyCodeObject *code = (PyCodeObject *)arg[0];
    if (PyUnicode_Compare(code->co_filename, arg[1])) {
        PyObject *old = Py_NewRef(code->co_filename);
        fix_filename(code, old, arg[1]);
        Py_DECREF(old);
    }
    Py_RETURN_NONE;
}

/* SipHash-1-3 with the key (key, 0): what hash-based .pyc files carry. */
static inline uint64_t rotate(uint64_t x, int b) { return x << b | x >> (64 - b); }

static void sip_round(uint64_t v[4])
{
    v[0] += v[1]; v[2] += v[3];
    v[1] = rotate(v[1], 13) ^ v[0]; v[3] = rotate(v[3], 16) ^ v[2];
    v[0] = rotate(v[0], 32);
    v[2] += v[1]; v[0] += v[3];
    v[1] = rotate(v[1], 17) ^ v[2]; v[3] = rotate(v[3], 21) ^ v[0];
    v[2] = rotate(v[2], 32);
}

static uint64_t keyed_hash(uint64_t key, const unsigned char *p, size_t n)
{
    uint64_t v[4] = { key ^ 0x736f6d6570736575u, 0x646f72616e646f6du, key ^ 0x6c7967656e657261u, 0x7465646279746573u };
    uint64_t last = (uint64_t)n << 56, word;
    for (; n >= 8; p += 8, n -= 8) {
        memcpy(&word, p, 8);
        v[3] ^= word;
        sip_round(v);
        v[0] ^= word;
    }
    for (size_t i = 0; i < n; i++) last |= (uint64_t)p[i] << (8 * i);
    v[3] ^= last;
    sip_round(v);
    v[0] ^= last;
    v[2] ^= 0xff;
    for (int i = 0; i < 3; i++) sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

BUILTIN(imp, source_hash, KEYWORDS, "($module, /, key, source)", "")
{
    long key = PyLong_AsLong(arg[0]);
    if (key == -1 && PyErr_Occurred()) return NULL;
    Py_buffer source;
    if (PyObject_GetBuffer(arg[1], &source, PyBUF_SIMPLE) < 0) return NULL;
    uint64_t hash = keyed_hash((uint64_t)key, source.buf, (size_t)source.len);
    PyBuffer_Release(&source);
    return PyBytes_FromStringAndSize((char *)&hash, sizeof hash);
}

/* ---- the module ------------------------------------------------------------------------------------------------- */

static PyMethodDef imp_methods[] = {
    METHOD(imp, extension_suffixes), METHOD(imp, lock_held), METHOD(imp, acquire_lock), METHOD(imp, release_lock),
    METHOD(imp, find_frozen), METHOD(imp, get_frozen_object), METHOD(imp, is_frozen_package), METHOD(imp, create_builtin),
    METHOD(imp, init_frozen), METHOD(imp, is_builtin), METHOD(imp, is_frozen), METHOD(imp, _frozen_module_names),
    METHOD(imp, _override_frozen_modules_for_tests), METHOD(imp, _override_multi_interp_extensions_check),
    METHOD(imp, create_dynamic), METHOD(imp, exec_dynamic), METHOD(imp, exec_builtin), METHOD(imp, _fix_co_filename),
    METHOD(imp, source_hash), {0}
};

static int imp_exec(PyObject *module)
{
    const wchar_t *mode = interp_config(interp_get())->check_hash_pycs_mode;
    PyObject *value = PyUnicode_FromWideChar(mode ? mode : L"default", -1);
    int status = PyModule_AddObjectRef(module, "check_hash_based_pycs", value);
    Py_XDECREF(value);
    return status;
}

static PyModuleDef_Slot imp_slots[] = {
    {Py_mod_exec, (void *)imp_exec}, {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED}, {0, NULL}
};

static PyModuleDef imp_module = {
    PyModuleDef_HEAD_INIT, .m_name = "_imp", .m_doc = "(Extremely) low-level import machinery bits as used by importlib.",
    .m_size = 0, .m_methods = imp_methods, .m_slots = imp_slots,
};

PyMODINIT_FUNC PyInit__imp(void) { return PyModuleDef_Init(&imp_module); }

/* importlib is what normally makes modules; _imp comes before it, with a spec that knows its name only. */
PyObject *import_bootstrap_imp(PyThreadState *Py_UNUSED(ts))
{
    PyObject *dict = PyDict_New(), *name = PyUnicode_InternFromString("_imp"), *spec = NULL, *module = NULL;
    if (!dict || !name || PyDict_SetItem(dict, STR(name), name) < 0) goto done;
    if (!(spec = PyModule_NewObject(name)) || PyObject_SetAttr(spec, STR(name), name) < 0) goto done;
    module = PyModule_FromDefAndSpec(&imp_module, spec);
    if (module && PyModule_ExecDef(module, &imp_module) < 0) Py_CLEAR(module);
done:
    Py_XDECREF(dict);
    Py_XDECREF(name);
    Py_XDECREF(spec);
    return module;
}
