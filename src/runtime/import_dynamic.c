/* Native modules: those of the table (inittab) and shared objects. Both kinds of initialisation: multi-phase (the function
 * returns a PyModuleDef) and single-phase (it returns the module, which import_extensions.c remembers, so that a later import in
 * the same or another interpreter copies its dict, or runs the function again). */
#include "runtime/state.h"
#include "runtime/runtime_private.h"
#include "runtime/import_private.h"
#include "runtime/crossinterp.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

const char *const import_suffixes[] = { ".cpython-313-" TAIPAN_MULTIARCH ".so", ".abi3.so", ".abi3-" TAIPAN_MULTIARCH ".so", ".so", NULL };

/* The full name of the module whose single-phase init runs, for PyModule_Create. */
const char *import_package_context(void)
{
    Thread *t = thread_current;
    return t ? t->runtime.package_context : NULL;
}

/* ---- running an init function ----------------------------------------------------------------------------------- */

/* What came of it: a definition (multi-phase), a module and its definition (single-phase), or neither, and why. */
typedef struct InitResult {
    PyModuleDef *def;                       /* borrowed: definitions live for ever */
    PyObject *module;                       /* NEW */
    PyObject *raised;                       /* the exception: with a complaint its cause, without one what is to be raised */
    const char *complaint;                  /* format of a SystemError, about the short name */
} InitResult;

/* Takes care of every way to break the protocol; no exception is set afterwards. */
static void init_run(InitFunction init, const char *full, bool ascii, InitResult *result)
{
    Thread *t = thread_current;
    const char *old = t->runtime.package_context;
    *result = (InitResult){ 0 };
    t->runtime.package_context = full;
    PyObject *module = init();
    t->runtime.package_context = old;
    result->raised = PyErr_GetRaisedException();
    if (!module) {
        if (!result->raised) result->complaint = "initialization of %s failed without raising an exception";
        return;
    }
    if (result->raised) {                   /* the module may be anything: leave it */
        result->complaint = "initialization of %s raised unreported exception";
        return;
    }
    if (!Py_TYPE(module)) {
        result->complaint = "init function of %s returned uninitialized object";
        return;
    }
    if (PyObject_TypeCheck(module, &PyModuleDef_Type)) {
        result->def = (PyModuleDef *)module;
        return;
    }
    if (!ascii) result->complaint = "initialization of %s did not return PyModuleDef";
    else if (!PyModule_Check(module)) result->complaint = "initialization of %s did not return an extension module";
    else if (!(result->def = PyModule_GetDef(module))) {
        PyErr_Clear();
        result->complaint = "initialization of %s did not return a valid extension module";
    }
    if (result->complaint) Py_DECREF(module);
    else result->module = module;
}

static void init_complain(InitResult *result, const char *full)
{
    if (!result->complaint) {
        PyErr_SetRaisedException(result->raised);
        return;
    }
    const char *dot = strrchr(full, '.');
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    PyErr_Format(PyExc_SystemError, result->complaint, dot ? dot + 1 : full);
#pragma GCC diagnostic pop
    if (!result->raised) return;
    PyObject *error = PyErr_GetRaisedException();
    PyException_SetCause(error, Py_NewRef(result->raised));
    PyException_SetContext(error, result->raised);
    PyErr_SetRaisedException(error);
}

/* The module of a single-phase init function, or NULL with an exception. */
static PyObject *init_take_module(InitResult *result, const char *full)
{
    if (!result->module && result->def) {
        result->def = NULL;
        result->complaint = "initialization of %s did not return an extension module";
    }
    if (!result->module) init_complain(result, full);
    return result->module;
}

/* ---- single-phase modules --------------------------------------------------------------------------------------- */

int import_forget_extension(PyObject *name, PyObject *path)
{
    PyModuleDef *def;
    int found = extension_forget(path, name, &def);
    PyObject *list = interp_get()->runtime.import.modules_by_index;
    Py_ssize_t index = def ? def->m_base.m_index : 0;
    if (list && index > 0 && index < PyList_GET_SIZE(list)) PyList_SetItem(list, index, Py_NewRef(Py_None));
    return found < 0 ? -1 : 0;
}

/* Interpreters that insist on it load only modules that keep nothing to themselves. 0, or -1 with ImportError. */
static bool permits_any_module(Interpreter *interp)
{
    int override = interp->runtime.import.override_multi_interp_check;
    if (interp == PyInterpreterState_Main()) return true;
    return override ? override < 0 : !(interp->runtime.feature_flags & FEATURE_MULTI_INTERP);
}

static int check_single_phase(const char *name)
{
    if (permits_any_module(interp_get())) return 0;
    PyErr_Format(PyExc_ImportError, "module %s does not support loading in subinterpreters", name);
    return -1;
}

/* A module that was initialised before: put back into sys.modules. NULL without exception: never was. */
static PyObject *extension_reload(PyObject *name, PyObject *path)
{
    RuntimeState *r = &interp_get()->runtime;
    Extension known;
    int found = extension_find(path, name, &known);
    if (found <= 0) return NULL;
    const char *shown = PyUnicode_AsUTF8(name);
    if (found == 2) {
        if (shown) check_single_phase(shown);
        return NULL;
    }
    PyObject *module = NULL;
    if (!shown || check_single_phase(shown) < 0) goto done;
    if (known.copy) {
        module = import_add_module(name);
        if (module && PyDict_Update(PyModule_GetDict(module), known.copy) < 0) Py_CLEAR(module);
    }
    else {
        InitResult result;
        init_run(known.init, shown, true, &result);
        if (!(module = init_take_module(&result, shown))) goto done;
        if (path != name && PyModule_AddObjectRef(module, "__file__", path) < 0) PyErr_Clear();
        if (PyObject_SetItem(r->modules, name, module) < 0) Py_CLEAR(module);
    }
    if (module && import_remember_by_index(module, known.def) < 0) Py_CLEAR(module);
    if (module && r->config.verbose) PySys_FormatStderr("import %U # previously loaded (%R)\n", name, path);
done:
    Py_XDECREF(known.copy);
    return module;
}

/* ---- first imports ---------------------------------------------------------------------------------------------- */

/* What the init function of a single-phase module leaves behind in the interpreter where it ran. 0 / -1. */
static int record_first(PyObject *module, PyModuleDef *def, PyObject *name, PyObject *path, InitFunction init)
{
    PyObject *file = NULL;
    if (path) {                             /* it may be another interpreter's */
        file = PyUnicode_FromKindAndData((int)PyUnicode_KIND(path), PyUnicode_DATA(path), PyUnicode_GET_LENGTH(path));
        if (!file || PyModule_AddObjectRef(module, "__file__", file) < 0) PyErr_Clear();
    }
    Py_XDECREF(file);
    def->m_base.m_init = init;
    return extension_remember(path ? path : name, name, def, init, PyModule_GetDict(module));
}

/* The init function of a shared object runs in the main interpreter: whether it is single-phase comes out only then, and what
 * it makes has to outlive the interpreter that asks. 1: done, import it again here from the record; 0: *def is the definition
 * of a multi-phase module; -1: exception. */
static int init_in_main(InitFunction init, const char *full, bool ascii, PyObject *name, PyObject *path, PyModuleDef **def)
{
    Visit visit;
    InitResult result;
    int status = 0;
    bool same_gil = interp_shares_main_gil(interp_get());
    if (visit_begin(&visit, PyInterpreterState_Main(), false) < 0) return -1;
    init_run(init, full, ascii, &result);
    *def = result.def;
    if (result.module) {
        status = record_first(result.module, result.def, name, path, init) < 0 ? -1 : 1;
        Py_CLEAR(result.module);
    }
    else if (!result.def) {
        status = -1;
        if (!same_gil && result.raised) {                    /* it cannot leave the interpreter */
            PyErr_SetRaisedException(result.raised);
            result.raised = NULL;
        }
    }
    bool unsaid = PyErr_Occurred() != NULL;
    if (unsaid) PyErr_FormatUnraisable("Exception ignored in the main interpreter, in the import of %R", name);
    visit_end(&visit);
    if (status == -1) {
        if (result.raised || result.complaint) init_complain(&result, full);
        if (!PyErr_Occurred()) PyErr_SetString(PyExc_ImportError, "failed to import from subinterpreter due to exception");
    }
    return status;
}

/* path: NULL for the table. */
static PyObject *import_first(InitFunction init, PyObject *spec, PyObject *name, PyObject *path)
{
    Interpreter *interp = interp_get();
    const char *full = PyUnicode_AsUTF8(name);
    if (!full) return NULL;
    bool ascii = PyUnicode_IS_ASCII(name);
    /* Where nothing is shared with the main interpreter and every module is allowed, the module is private to this one. */
    bool here = !path || interp == PyInterpreterState_Main() || (!interp_shares_main_gil(interp) && permits_any_module(interp));
    if (!here) {
        PyModuleDef *def;
        int status = init_in_main(init, full, ascii, name, path, &def);
        if (status < 0) return NULL;
        if (status == 0) return PyModule_FromDefAndSpec(def, spec);
        PyObject *module = extension_reload(name, path);
        if (!module && !PyErr_Occurred()) PyErr_Format(PyExc_ImportError, "module %s was forgotten while it was loaded", full);
        return module;
    }
    InitResult result;
    init_run(init, full, ascii, &result);
    if (result.def && !result.module) return PyModule_FromDefAndSpec(result.def, spec);
    PyModuleDef *def = result.def;
    PyObject *module = init_take_module(&result, full);
    if (!module) return NULL;
    if (record_first(module, def, name, path, init) < 0 || check_single_phase(full) < 0 ||
        import_remember_by_index(module, def) < 0 || PyObject_SetItem(PyImport_GetModuleDict(), name, module) < 0) Py_CLEAR(module);
    return module;
}

PyObject *import_create_builtin(PyObject *spec, PyObject *name)
{
    PyObject *module = extension_reload(name, name);
    if (module || PyErr_Occurred()) return module;
    struct _inittab *entry = inittab_find(name);
    if (!entry) Py_RETURN_NONE;
    if (!entry->initfunc) return import_add_module(name);       /* builtins, sys: already there */
    return import_first(entry->initfunc, spec, name, NULL);
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
    module = import_first(init, spec, name, path);
done:
    Py_XDECREF(bytes);
    PyMem_Free(symbol);
    return module;
}
