/* Native modules: those of the table (inittab) and shared objects. Both kinds of initialisation: multi-phase (the function
 * returns a PyModuleDef) and single-phase (it returns the module, whose dict is then remembered, so that a later import in
 * the same or another interpreter gets a copy). */
#include "runtime/state.h"
#include "runtime/runtime_private.h"
#include "runtime/import_private.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

typedef PyObject *(*InitFunction)(void);

const char *const import_suffixes[] = { ".cpython-313-" TAIPAN_MULTIARCH ".so", ".abi3.so", ".abi3-" TAIPAN_MULTIARCH ".so", ".so", NULL };

/* The full name of the module whose single-phase init runs, for PyModule_Create. */
const char *import_package_context(void)
{
    Thread *t = thread_current;
    return t ? t->runtime.package_context : NULL;
}

/* ---- single-phase records --------------------------------------------------------------------------------------- */

/* interp->runtime.import.extensions: (path, name) -> (def capsule, copy of the dict or None, init capsule) */
static PyObject *extension_key(PyObject *path, PyObject *name) { return PyTuple_Pack(2, path, name); }

static int extension_remember(PyObject *module, PyObject *name, PyObject *path, PyModuleDef *def, InitFunction init)
{
    RuntimeState *r = &interp_get()->runtime;
    int status = -1;
    PyObject *key = NULL, *record = NULL, *copy = NULL, *def_capsule = NULL, *init_capsule = NULL;
    if (import_remember_by_index(module, def) < 0) return -1;
    if (!r->import.extensions && !(r->import.extensions = PyDict_New())) return -1;
    if (def->m_size == -1) {
        PyObject *dict = PyModule_GetDict(module);
        if (!dict || !(copy = PyDict_Copy(dict))) goto done;
    }
    if (!(key = extension_key(path, name))) goto done;
    if (!(def_capsule = PyCapsule_New(def, NULL, NULL)) || !(init_capsule = PyCapsule_New((void *)(uintptr_t)init, NULL, NULL))) goto done;
    if (!(record = PyTuple_Pack(3, def_capsule, copy ? copy : Py_None, init_capsule))) goto done;
    status = PyDict_SetItem(r->import.extensions, key, record);
done:
    Py_XDECREF(key);
    Py_XDECREF(record);
    Py_XDECREF(copy);
    Py_XDECREF(def_capsule);
    Py_XDECREF(init_capsule);
    return status;
}

int import_forget_extension(PyObject *name, PyObject *path)
{
    PyObject *extensions = interp_get()->runtime.import.extensions;
    if (!extensions) return 0;
    PyObject *key = extension_key(path, name), *record = NULL;
    if (!key) return -1;
    int found = PyDict_Pop(extensions, key, &record);
    Py_DECREF(key);
    if (found <= 0) return found;
    PyModuleDef *def = PyCapsule_GetPointer(PyTuple_GET_ITEM(record, 0), NULL);
    PyObject *list = interp_get()->runtime.import.modules_by_index;
    Py_ssize_t index = def ? def->m_base.m_index : 0;
    if (list && index > 0 && index < PyList_GET_SIZE(list)) PyList_SetItem(list, index, Py_NewRef(Py_None));
    Py_DECREF(record);
    return 0;
}

/* Interpreters that insist on it load only modules that keep nothing to themselves. 0, or -1 with ImportError. */
static int check_subinterpreter(const char *name, PyModuleDef *def, bool single_phase)
{
    Interpreter *interp = interp_get();
    if (interp == PyInterpreterState_Main()) return 0;
    int override = interp->runtime.import.override_multi_interp_check;
    bool strict = override ? override > 0 : (interp->runtime.feature_flags & FEATURE_MULTI_INTERP) != 0;
    if (!strict) return 0;
    void *support = Py_MOD_MULTIPLE_INTERPRETERS_SUPPORTED;
    if (single_phase) support = Py_MOD_MULTIPLE_INTERPRETERS_NOT_SUPPORTED;
    else for (PyModuleDef_Slot *slot = def->m_slots; slot && slot->slot; slot++)
        if (slot->slot == Py_mod_multiple_interpreters) support = slot->value;
    bool own_gil = interp->runtime.gil == &interp->runtime.own_gil;
    if (support == Py_MOD_PER_INTERPRETER_GIL_SUPPORTED || (support != Py_MOD_MULTIPLE_INTERPRETERS_NOT_SUPPORTED && !own_gil)) return 0;
    PyErr_Format(PyExc_ImportError, "module %s does not support loading in subinterpreters", name);
    return -1;
}

/* A module that was initialised before: put back into sys.modules. NULL without exception: never was. */
static PyObject *extension_reload(PyObject *name, PyObject *path)
{
    RuntimeState *r = &interp_get()->runtime;
    if (!r->import.extensions) return NULL;
    PyObject *key = extension_key(path, name);
    PyObject *record = key ? PyDict_GetItemWithError(r->import.extensions, key) : NULL;
    Py_XDECREF(key);
    if (!record) return NULL;
    Py_INCREF(record);
    PyModuleDef *def = PyCapsule_GetPointer(PyTuple_GET_ITEM(record, 0), NULL);
    PyObject *copy = PyTuple_GET_ITEM(record, 1), *module = NULL;
    const char *shown = PyUnicode_AsUTF8(name);
    if (!shown || check_subinterpreter(shown, def, true) < 0) {
        Py_DECREF(record);
        return NULL;
    }
    if (def->m_size == -1) {
        module = import_add_module(name);
        if (module && PyDict_Update(PyModule_GetDict(module), copy) < 0) Py_CLEAR(module);
    }
    else {
        InitFunction init = (InitFunction)(uintptr_t)PyCapsule_GetPointer(PyTuple_GET_ITEM(record, 2), NULL);
        module = init ? init() : NULL;
        if (module && PyObject_SetItem(r->modules, name, module) < 0) Py_CLEAR(module);
    }
    if (module && import_remember_by_index(module, def) < 0) Py_CLEAR(module);
    Py_DECREF(record);
    if (module && r->config.verbose) {
        const char *text = PyUnicode_AsUTF8(name);
        PySys_WriteStderr("import %s # previously loaded\n", text ? text : "?");
    }
    return module;
}

/* ---- running an init function ----------------------------------------------------------------------------------- */

/* name: short, for messages. path: NULL for the table. Takes care of every way to break the protocol. */
static PyObject *run_init(InitFunction init, PyObject *spec, PyObject *name, PyObject *path)
{
    Thread *t = thread_current;
    const char *full = PyUnicode_AsUTF8(name);
    if (!full) return NULL;
    const char *shown = strrchr(full, '.') ? strrchr(full, '.') + 1 : full;
    const char *old = t->runtime.package_context;
    t->runtime.package_context = full;
    PyObject *module = init();
    t->runtime.package_context = old;
    if (!module) {
        if (!PyErr_Occurred())
            PyErr_Format(PyExc_SystemError, "initialization of %s failed without raising an exception", shown);
        return NULL;
    }
    if (PyErr_Occurred()) {
        PyObject *cause = PyErr_GetRaisedException();
        PyErr_Format(PyExc_SystemError, "initialization of %s raised unreported exception", shown);
        PyObject *error = PyErr_GetRaisedException();
        PyException_SetCause(error, Py_NewRef(cause));
        PyException_SetContext(error, cause);
        PyErr_SetRaisedException(error);
        return NULL;                        /* the module may be anything: leave it */
    }
    if (!Py_TYPE(module)) {
        PyErr_Format(PyExc_SystemError, "init function of %s returned uninitialized object", shown);
        return NULL;
    }
    if (PyObject_TypeCheck(module, &PyModuleDef_Type)) {
        if (check_subinterpreter(full, (PyModuleDef *)module, false) < 0) return NULL;
        return PyModule_FromDefAndSpec((PyModuleDef *)module, spec);
    }
    if (!PyModule_Check(module)) {
        PyErr_Format(PyExc_SystemError, "initialization of %s did not return an extension module", shown);
        Py_DECREF(module);
        return NULL;
    }
    PyModuleDef *def = PyModule_GetDef(module);
    if (!def) {
        PyErr_Format(PyExc_SystemError, "initialization of %s did not return an extension module", shown);
        Py_DECREF(module);
        return NULL;
    }
    if (check_subinterpreter(full, def, true) < 0) {
        Py_DECREF(module);
        return NULL;
    }
    def->m_base.m_init = init;
    if (path && PyModule_AddObjectRef(module, "__file__", path) < 0) PyErr_Clear();
    if (PyObject_SetItem(PyImport_GetModuleDict(), name, module) < 0 ||
        extension_remember(module, name, path ? path : name, def, init) < 0) Py_CLEAR(module);
    return module;
}

PyObject *import_create_builtin(PyObject *spec, PyObject *name)
{
    PyObject *module = extension_reload(name, name);
    if (module || PyErr_Occurred()) return module;
    struct _inittab *entry = inittab_find(name);
    if (!entry) Py_RETURN_NONE;
    if (!entry->initfunc) return import_add_module(name);       /* builtins, sys: already there */
    return run_init(entry->initfunc, spec, name, NULL);
}

int import_exec_builtin_or_dynamic(PyObject *module)
{
    if (!PyModule_Check(module)) return 0;
    PyModuleDef *def = PyModule_GetDef(module);
    if (!def) return 0;
    if (def->m_slots == NULL) return 0;
    if (PyModule_GetState(module)) return 0;    /* executed before: a reload */
    return PyModule_ExecDef(module, def);
}

/* ---- shared objects --------------------------------------------------------------------------------------------- */

/* "PyInit_name", or for other than ASCII "PyInitU_" and the Punycode of the name. Malloc'ed. */
static char *init_symbol(PyObject *name)
{
    Py_ssize_t length = PyUnicode_GET_LENGTH(name), dot = PyUnicode_FindChar(name, '.', 0, length, -1);
    if (dot == -2) return NULL;
    PyObject *last = PyUnicode_Substring(name, dot + 1, length), *encoded = NULL;
    if (!last) return NULL;
    const char *prefix = "PyInit_";
    if (PyUnicode_IS_ASCII(last)) encoded = PyUnicode_AsASCIIString(last);
    else {
        prefix = "PyInitU_";
        encoded = PyUnicode_AsEncodedString(last, "punycode", NULL);
    }
    Py_DECREF(last);
    if (!encoded) return NULL;
    Py_ssize_t size = PyBytes_GET_SIZE(encoded);
    char *symbol = PyMem_Malloc(strlen(prefix) + (size_t)size + 1);
    if (symbol) {
        strcpy(symbol, prefix);
        memcpy(symbol + strlen(prefix), PyBytes_AS_STRING(encoded), (size_t)size + 1);
        for (char *p = symbol; *p; p++) if (*p == '-') *p = '_';
    }
    else PyErr_NoMemory();
    Py_DECREF(encoded);
    return symbol;
}

PyObject *import_create_dynamic(PyObject *spec, PyObject *name, PyObject *path)
{
    Py_ssize_t name_length;
    const char *text = PyUnicode_AsUTF8AndSize(name, &name_length);
    if (!text) return NULL;
    if (strlen(text) != (size_t)name_length || (PyUnicode_Check(path) && PyUnicode_FindChar(path, 0, 0, PyUnicode_GET_LENGTH(path), 1) >= 0)) {
        PyErr_SetString(PyExc_ValueError, "embedded null character");
        return NULL;
    }
    PyObject *module = extension_reload(name, path), *bytes = NULL;
    if (module || PyErr_Occurred()) return module;
    if (PySys_Audit("import", "OOOOO", name, path, Py_None, Py_None, Py_None) < 0) return NULL;
    char *symbol = init_symbol(name);
    if (!symbol) return NULL;
    if (!PyUnicode_FSConverter(path, &bytes)) goto done;
    int flags = interp_get()->runtime.import.dlopen_flags;
    if (interp_config(interp_get())->verbose)
        PySys_WriteStderr("dlopen(\"%s\", %x);\n", PyBytes_AS_STRING(bytes), flags);
    /* A name without a slash would be searched in the library path. */
    if (!strchr(PyBytes_AS_STRING(bytes), '/')) Py_SETREF(bytes, PyBytes_FromFormat("./%s", PyBytes_AS_STRING(bytes)));
    if (!bytes) goto done;
    void *handle = dlopen(PyBytes_AS_STRING(bytes), flags);
    if (!handle) {
        const char *error = dlerror();
        PyObject *message = PyUnicode_DecodeLocale(error ? error : "unknown dlopen() error", "surrogateescape");
        if (message) PyErr_SetImportError(message, name, path);
        Py_XDECREF(message);
        goto done;
    }
    InitFunction init = (InitFunction)(uintptr_t)dlsym(handle, symbol);
    if (!init) {
        PyObject *message = PyUnicode_FromFormat("dynamic module does not define module export function (%s)", symbol);
        if (message) PyErr_SetImportError(message, name, path);
        Py_XDECREF(message);
        goto done;
    }
    module = run_init(init, spec, name, path);
done:
    Py_XDECREF(bytes);
    PyMem_Free(symbol);
    return module;
}
