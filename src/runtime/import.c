/* Import seen from C: PyImport_*, the import statement's fast path, the table of native modules, single-phase records.
 * The machinery itself is importlib's, frozen at build time (import_frozen.c); extension modules are in import_dynamic.c. */
#include "runtime/state.h"
#include "runtime/runtime_private.h"
#include "runtime/import_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define P (&_PyRuntime.runtime)

/* ---- the table of native modules -------------------------------------------------------------------------------- */

#define MODULE(name, function) extern PyObject *function(void);
#include "modules/inittab.def"

static struct _inittab builtin_table[] = {
#define MODULE(name, function) { #name, function },
#include "modules/inittab.def"
    { "builtins", NULL }, { "sys", NULL }, { NULL, NULL }
};

struct _inittab *PyImport_Inittab = builtin_table;

struct _inittab *inittab_find(PyObject *name)
{
    for (struct _inittab *entry = PyImport_Inittab; entry->name; entry++)
        if (PyUnicode_EqualToUTF8(name, entry->name)) return entry;
    return NULL;
}

int PyImport_ExtendInittab(struct _inittab *added)
{
    if (P->initialized) _Py_FatalErrorFunc(__func__, "PyImport_ExtendInittab() may not be called after Py_Initialize()");
    size_t old = 0, extra = 0;
    while (added[extra].name) extra++;
    if (!extra) return 0;
    while (PyImport_Inittab[old].name) old++;
    struct _inittab *table = realloc(P->inittab_copy, (old + extra + 1) * sizeof *table);
    if (!table) return -1;
    if (P->inittab_copy != PyImport_Inittab) memcpy(table, PyImport_Inittab, (old + 1) * sizeof *table);
    memcpy(table + old, added, (extra + 1) * sizeof *table);
    PyImport_Inittab = P->inittab_copy = table;
    return 0;
}

int PyImport_AppendInittab(const char *name, PyObject *(*function)(void))
{
    struct _inittab added[2] = { { name, function } };
    if (P->initialized) _Py_FatalErrorFunc(__func__, "PyImport_AppendInittab() may not be called after Py_Initialize()");
    return PyImport_ExtendInittab(added);
}

/* ---- sys.modules ------------------------------------------------------------------------------------------------ */

long PyImport_GetMagicNumber(void) { return IMPORT_MAGIC; }
const char *PyImport_GetMagicTag(void) { return "cpython-313"; }

PyObject *PyImport_GetModuleDict(void)
{
    PyObject *modules = interp_get()->runtime.modules;
    if (!modules) _Py_FatalErrorFunc(__func__, "interpreter has no modules dictionary");
    return modules;
}

static PyObject *modules_checked(void)
{
    PyObject *modules = interp_get()->runtime.modules;
    if (!modules) PyErr_SetString(PyExc_RuntimeError, "unable to get sys.modules");
    return modules;
}

/* New reference; NULL without exception when absent. */
static PyObject *modules_get(PyObject *modules, PyObject *name)
{
    PyObject *module = NULL;
    if (PyDict_CheckExact(modules)) PyDict_GetItemRef(modules, name, &module);
    else PyMapping_GetOptionalItem(modules, name, &module);
    return module;
}

PyObject *PyImport_GetModule(PyObject *name)
{
    PyObject *modules = modules_checked();
    if (!modules) return NULL;
    PyObject *module = modules_get(modules, name);
    if (module && module != Py_None && import_ensure_initialized(module, name) < 0) Py_CLEAR(module);
    return module;
}

PyObject *import_add_module(PyObject *name)
{
    PyObject *modules = modules_checked();
    if (!modules) return NULL;
    PyObject *module = modules_get(modules, name);
    if (module && PyModule_Check(module)) return module;
    Py_XDECREF(module);
    if (PyErr_Occurred()) return NULL;
    module = PyModule_NewObject(name);
    if (module && PyObject_SetItem(modules, name, module) < 0) Py_CLEAR(module);
    return module;
}

PyObject *PyImport_AddModuleRef(const char *name)
{
    PyObject *key = PyUnicode_FromString(name);
    PyObject *module = key ? import_add_module(key) : NULL;
    Py_XDECREF(key);
    return module;
}

/* Borrowed, as documented: kept alive by sys.modules, through a weak reference in case a subclassed dict forgets it. */
PyObject *PyImport_AddModuleObject(PyObject *name)
{
    PyObject *module = import_add_module(name);
    if (!module) return NULL;
    PyObject *reference = PyWeakref_NewRef(module, NULL);
    Py_DECREF(module);
    if (!reference) return NULL;
    PyObject *alive = NULL;
    PyWeakref_GetRef(reference, &alive);
    Py_DECREF(reference);
    Py_XDECREF(alive);
    return alive;
}

PyObject *PyImport_AddModule(const char *name)
{
    PyObject *key = PyUnicode_FromString(name);
    PyObject *module = key ? PyImport_AddModuleObject(key) : NULL;
    Py_XDECREF(key);
    return module;
}

static void modules_remove(PyObject *name)
{
    PyObject *saved = PyErr_GetRaisedException(), *modules = interp_get()->runtime.modules, *old = NULL;
    if (PyDict_CheckExact(modules)) PyDict_Pop(modules, name, &old);
    else PyObject_DelItem(modules, name);
    Py_XDECREF(old);
    PyErr_Clear();
    PyErr_SetRaisedException(saved);
}

/* ---- running code as a module ----------------------------------------------------------------------------------- */

static PyObject *module_dict_for_exec(PyObject *name)
{
    PyObject *module = import_add_module(name);
    if (!module) return NULL;
    PyObject *dict = PyModule_GetDict(module);
    int has = PyDict_Contains(dict, STR(__builtins__));
    if (has == 0) has = PyDict_SetItem(dict, STR(__builtins__), PyEval_GetBuiltins()) < 0 ? -1 : 1;
    if (has < 0) {
        modules_remove(name);
        Py_DECREF(module);
        return NULL;
    }
    Py_INCREF(dict);
    Py_DECREF(module);
    return dict;
}

static PyObject *exec_in_module(PyObject *name, PyObject *dict, PyObject *code)
{
    PyObject *value = PyEval_EvalCode(code, dict, dict);
    if (!value) {
        modules_remove(name);
        return NULL;
    }
    Py_DECREF(value);
    PyObject *modules = modules_checked();
    PyObject *module = modules ? modules_get(modules, name) : NULL;
    if (!module && !PyErr_Occurred()) PyErr_Format(PyExc_ImportError, "Loaded module %R not found in sys.modules", name);
    return module;
}

PyObject *PyImport_ExecCodeModuleObject(PyObject *name, PyObject *code, PyObject *pathname, PyObject *cpathname)
{
    PyObject *result = NULL, *dict = module_dict_for_exec(name);
    if (!dict) return NULL;
    PyObject *external = NULL, *importlib = interp_get()->runtime.importlib;
    if (!importlib) {
        PyErr_SetString(PyExc_RuntimeError, "no importlib");
        goto done;
    }
    external = PyObject_GetAttrString(importlib, "_bootstrap_external");
    if (!external) goto done;
    PyObject *path = pathname ? pathname : ((PyCodeObject *)code)->co_filename;
    PyObject *status = PyObject_CallMethod(external, "_fix_up_module", "OOOO", dict, name, path, cpathname ? cpathname : Py_None);
    if (!status) goto done;
    Py_DECREF(status);
    result = exec_in_module(name, dict, code);
done:
    if (!result) modules_remove(name);
    Py_XDECREF(external);
    Py_DECREF(dict);
    return result;
}

PyObject *PyImport_ExecCodeModuleWithPathnames(const char *name, PyObject *code, const char *pathname, const char *cpathname)
{
    PyObject *result = NULL, *path = NULL, *cpath = NULL, *name_object = PyUnicode_FromString(name);
    if (!name_object) return NULL;
    if (cpathname && !(cpath = PyUnicode_DecodeFSDefault(cpathname))) goto done;
    if (pathname) {
        if (!(path = PyUnicode_DecodeFSDefault(pathname))) goto done;
    }
    else if (cpath) {
        PyObject *importlib = interp_get()->runtime.importlib;
        PyObject *external = importlib ? PyObject_GetAttrString(importlib, "_bootstrap_external") : NULL;
        if (external) path = PyObject_CallMethod(external, "_get_sourcefile", "O", cpath);
        Py_XDECREF(external);
        if (!path) PyErr_Clear();
    }
    result = PyImport_ExecCodeModuleObject(name_object, code, path, cpath);
done:
    Py_DECREF(name_object);
    Py_XDECREF(path);
    Py_XDECREF(cpath);
    return result;
}

PyObject *PyImport_ExecCodeModuleEx(const char *name, PyObject *code, const char *pathname)
{
    return PyImport_ExecCodeModuleWithPathnames(name, code, pathname, NULL);
}

PyObject *PyImport_ExecCodeModule(const char *name, PyObject *code)
{
    return PyImport_ExecCodeModuleWithPathnames(name, code, NULL, NULL);
}

/* ---- the import statement --------------------------------------------------------------------------------------- */

/* Another thread is importing the module: wait for it, through importlib's module locks. 0 / -1. */
int import_ensure_initialized(PyObject *module, PyObject *name)
{
    PyObject *spec = NULL, *value = NULL;
    if (PyObject_GetOptionalAttr(module, STR(__spec__), &spec) < 0) return -1;
    if (!spec) return 0;
    int status = PyObject_GetOptionalAttr(spec, STR(_initializing), &value);
    Py_DECREF(spec);
    if (status < 0) return -1;
    int busy = value && value != Py_False ? PyObject_IsTrue(value) : 0;
    Py_XDECREF(value);
    if (busy <= 0) {
        PyErr_Clear();
        return 0;
    }
    PyObject *result = PyObject_CallMethodOneArg(interp_get()->runtime.importlib, STR(_lock_unlock_module), name);
    Py_XDECREF(result);
    return result ? 0 : -1;
}

/* Cuts importlib's own frames out of the traceback: all of them for an ImportError, otherwise those that
 * _call_with_frames_removed marks. Not with -v. */
static void remove_importlib_frames(void)
{
    if (interp_config(interp_get())->verbose) return;
    PyObject *exception = PyErr_GetRaisedException();
    if (!exception) return;
    bool always = PyErr_GivenExceptionMatches(exception, PyExc_ImportError);
    PyObject *base = PyException_GetTraceback(exception), **previous = &base, **outer = &base;
    bool in_chunk = false;
    for (PyObject *tb = base; tb;) {
        PyTracebackObject *traceback = (PyTracebackObject *)tb;
        PyObject *next = (PyObject *)traceback->tb_next;
        PyCodeObject *code = PyFrame_GetCode(traceback->tb_frame);
        bool ours = PyUnicode_EqualToUTF8(code->co_filename, "<frozen importlib._bootstrap>") ||
                    PyUnicode_EqualToUTF8(code->co_filename, "<frozen importlib._bootstrap_external>");
        bool chunk_end = PyUnicode_EqualToUTF8(code->co_name, "_call_with_frames_removed");
        Py_DECREF(code);
        if (ours && !in_chunk) outer = previous;
        in_chunk = ours;
        if (in_chunk && (always || chunk_end)) {
            PyObject *tmp = *outer;
            *outer = Py_XNewRef(next);
            Py_XDECREF(tmp);
            previous = outer;
        }
        else previous = (PyObject **)(void *)&traceback->tb_next;
        tb = next;
    }
    PyException_SetTraceback(exception, base ? base : Py_None);
    Py_XDECREF(base);
    PyErr_SetRaisedException(exception);
}

static PyObject *find_and_load(PyThreadState *ts, PyObject *name)
{
    RuntimeState *r = &ts->interp->runtime;
    int64_t started = 0, accumulated = 0;
    bool timed = r->config.import_time != 0;
    PyObject *path = sys_get(STR(path)), *meta = sys_get(STR(meta_path)), *hooks = sys_get(STR(path_hooks));
    if (PySys_Audit("import", "OOOOO", name, Py_None, path ? path : Py_None, meta ? meta : Py_None, hooks ? hooks : Py_None) < 0)
        return NULL;
    if (!r->importlib) {
        PyErr_Format(PyExc_ImportError, "import of %R: the import system is not set up", name);
        return NULL;
    }
    if (timed) {
        if (!r->import.timing.header) {
            fputs("import time: self [us] | cumulative | imported package\n", stderr);
            r->import.timing.header = true;
        }
        r->import.timing.level++;
        PyTime_PerfCounterRaw(&started);
        accumulated = r->import.timing.accumulated;
        r->import.timing.accumulated = 0;
    }
    if (!r->import.find_and_load && !(r->import.find_and_load = PyObject_GetAttr(r->importlib, STR(_find_and_load)))) return NULL;
    PyObject *stack[2] = { name, r->import.import_function };
    PyObject *module = PyObject_Vectorcall(r->import.find_and_load, stack, 2, NULL);
    if (timed) {
        int64_t now;
        PyTime_PerfCounterRaw(&now);
        int64_t total = now - started;
        const char *text = PyUnicode_AsUTF8(name);
        r->import.timing.level--;
        fprintf(stderr, "import time: %9ld | %10ld | %*s%s\n", (long)((total - r->import.timing.accumulated + 999) / 1000),
                (long)((total + 999) / 1000), r->import.timing.level * 2, "", text ? text : "?");
        r->import.timing.accumulated = accumulated + total;
    }
    return module;
}

/* The package that a relative import starts from. New reference. */
static PyObject *relative_package(PyObject *globals)
{
    PyObject *package = NULL, *spec = NULL, *parent = NULL;
    if (!globals) {
        PyErr_SetString(PyExc_KeyError, "'__name__' not in globals");
        return NULL;
    }
    if (!PyDict_Check(globals)) {
        PyErr_SetString(PyExc_TypeError, "globals must be a dict");
        return NULL;
    }
    if (PyDict_GetItemRef(globals, STR(__package__), &package) < 0 || PyDict_GetItemRef(globals, STR(__spec__), &spec) < 0) goto error;
    if (package && package != Py_None) {
        if (!PyUnicode_Check(package)) {
            PyErr_SetString(PyExc_TypeError, "package must be a string");
            goto error;
        }
        if (spec && spec != Py_None) {
            if (!(parent = PyObject_GetAttr(spec, STR(parent)))) goto error;
            int equal = PyObject_RichCompareBool(package, parent, Py_EQ);
            if (equal < 0) goto error;
            if (!equal && PyErr_WarnFormat(PyExc_DeprecationWarning, 1, "__package__ != __spec__.parent (%R != %R)", package, parent) < 0)
                goto error;
        }
    }
    else if (spec && spec != Py_None) {
        Py_XSETREF(package, PyObject_GetAttr(spec, STR(parent)));
        if (!package) goto error;
        if (!PyUnicode_Check(package)) {
            PyErr_SetString(PyExc_TypeError, "__spec__.parent must be a string");
            goto error;
        }
    }
    else {
        if (PyErr_WarnEx(PyExc_ImportWarning, "can't resolve package from __spec__ or __package__, falling back on __name__ "
                                              "and __path__", 1) < 0) goto error;
        Py_CLEAR(package);
        if (PyDict_GetItemRef(globals, STR(__name__), &package) < 0) goto error;
        if (!package) {
            PyErr_SetString(PyExc_KeyError, "'__name__' not in globals");
            goto error;
        }
        if (!PyUnicode_Check(package)) {
            PyErr_SetString(PyExc_TypeError, "__name__ must be a string");
            goto error;
        }
        int has_path = PyDict_Contains(globals, STR(__path__));
        if (has_path < 0) goto error;
        if (!has_path) {
            Py_ssize_t dot = PyUnicode_FindChar(package, '.', 0, PyUnicode_GET_LENGTH(package), -1);
            if (dot == -2) goto error;
            if (dot == -1) {
                PyErr_SetString(PyExc_ImportError, "attempted relative import with no known parent package");
                goto error;
            }
            Py_SETREF(package, PyUnicode_Substring(package, 0, dot));
            if (!package) goto error;
        }
    }
    if (PyUnicode_GET_LENGTH(package) == 0) {
        PyErr_SetString(PyExc_ImportError, "attempted relative import with no known parent package");
        goto error;
    }
    Py_XDECREF(spec);
    Py_XDECREF(parent);
    return package;
error:
    Py_XDECREF(package);
    Py_XDECREF(spec);
    Py_XDECREF(parent);
    return NULL;
}

/* The absolute name of `name` seen from globals, `level` dots up. New reference. */
static PyObject *resolve_name(PyObject *name, PyObject *globals, int level)
{
    PyObject *package = relative_package(globals);
    if (!package) return NULL;
    Py_ssize_t last = PyUnicode_GET_LENGTH(package);
    for (int up = 1; up < level; up++) {
        last = PyUnicode_FindChar(package, '.', 0, last, -1);
        if (last == -2) {
            Py_DECREF(package);
            return NULL;
        }
        if (last == -1) {
            PyErr_SetString(PyExc_ImportError, "attempted relative import beyond top-level package");
            Py_DECREF(package);
            return NULL;
        }
    }
    PyObject *base = PyUnicode_Substring(package, 0, last);
    Py_DECREF(package);
    if (!base || PyUnicode_GET_LENGTH(name) == 0) return base;
    PyObject *absolute = PyUnicode_FromFormat("%U.%U", base, name);
    Py_DECREF(base);
    return absolute;
}

/* What `import a.b.c` binds: a; or, for a relative one, as much of the module's name as was written up to the dot. */
static PyObject *first_package(PyObject *module, PyObject *name, PyObject *absolute, int level)
{
    Py_ssize_t length = PyUnicode_GET_LENGTH(name);
    if (level != 0 && length == 0) return Py_NewRef(module);
    Py_ssize_t dot = PyUnicode_FindChar(name, '.', 0, length, 1);
    if (dot == -2) return NULL;
    if (dot == -1) return Py_NewRef(module);
    if (level == 0) {
        PyObject *front = PyUnicode_Substring(name, 0, dot);
        PyObject *result = front ? PyImport_ImportModuleLevelObject(front, NULL, NULL, NULL, 0) : NULL;
        Py_XDECREF(front);
        return result;
    }
    PyObject *wanted = PyUnicode_Substring(absolute, 0, PyUnicode_GET_LENGTH(absolute) - (length - dot));
    if (!wanted) return NULL;
    PyObject *modules = modules_checked();
    PyObject *result = modules ? modules_get(modules, wanted) : NULL;
    if (!result && !PyErr_Occurred()) PyErr_Format(PyExc_KeyError, "%R not in sys.modules as expected", wanted);
    Py_DECREF(wanted);
    return result;
}

static PyObject *import_from_list(PyObject *module, PyObject *fromlist)
{
    RuntimeState *r = &interp_get()->runtime;
    PyObject *path = NULL;
    if (PyObject_GetOptionalAttr(module, STR(__path__), &path) < 0) return NULL;
    if (!path) return Py_NewRef(module);
    Py_DECREF(path);
    if (!r->import.handle_fromlist && !(r->import.handle_fromlist = PyObject_GetAttr(r->importlib, STR(_handle_fromlist)))) return NULL;
    PyObject *stack[3] = { module, fromlist, r->import.import_function };
    return PyObject_Vectorcall(r->import.handle_fromlist, stack, 3, NULL);
}

PyObject *PyImport_ImportModuleLevelObject(PyObject *name, PyObject *globals, PyObject *Py_UNUSED(locals), PyObject *fromlist, int level)
{
    PyObject *absolute = NULL, *module = NULL, *result = NULL;
    PyThreadState *ts = PyThreadState_Get();
    if (!name) {
        PyErr_SetString(PyExc_ValueError, "Empty module name");
        goto done;
    }
    if (!PyUnicode_Check(name)) {
        PyErr_SetString(PyExc_TypeError, "module name must be a string");
        goto done;
    }
    if (level < 0) {
        PyErr_SetString(PyExc_ValueError, "level must be >= 0");
        goto done;
    }
    if (level > 0) absolute = resolve_name(name, globals, level);
    else if (PyUnicode_GET_LENGTH(name) == 0) PyErr_SetString(PyExc_ValueError, "Empty module name");
    else absolute = Py_NewRef(name);
    if (!absolute) goto done;
    PyObject *modules = modules_checked();
    if (!modules) goto done;
    module = modules_get(modules, absolute);
    if (!module && PyErr_Occurred()) goto done;
    if (module && module != Py_None) {
        if (import_ensure_initialized(module, absolute) < 0) goto done;
    }
    else {
        Py_XDECREF(module);
        if (!(module = find_and_load(ts, absolute))) goto done;
    }
    int has_from = fromlist && fromlist != Py_None ? PyObject_IsTrue(fromlist) : 0;
    if (has_from < 0) goto done;
    result = has_from ? import_from_list(module, fromlist) : first_package(module, name, absolute, level);
done:
    Py_XDECREF(absolute);
    Py_XDECREF(module);
    if (!result) remove_importlib_frames();
    return result;
}

PyObject *PyImport_ImportModuleLevel(const char *name, PyObject *globals, PyObject *locals, PyObject *fromlist, int level)
{
    PyObject *key = PyUnicode_FromString(name);
    PyObject *module = key ? PyImport_ImportModuleLevelObject(key, globals, locals, fromlist, level) : NULL;
    Py_XDECREF(key);
    return module;
}

PyObject *PyImport_ImportModule(const char *name)
{
    PyObject *key = PyUnicode_FromString(name);
    PyObject *module = key ? PyImport_Import(key) : NULL;
    Py_XDECREF(key);
    return module;
}

PyObject *PyImport_ImportModuleNoBlock(const char *name)
{
    if (PyErr_WarnEx(PyExc_DeprecationWarning, "PyImport_ImportModuleNoBlock() is deprecated and scheduled for removal in Python 3.15. "
                                               "Use PyImport_ImportModule() instead.", 1) < 0) return NULL;
    return PyImport_ImportModule(name);
}

/* Through the __import__ of the current globals' builtins, so that hooks are seen. */
PyObject *PyImport_Import(PyObject *name)
{
    PyObject *globals, *import = NULL, *builtins = NULL, *from = NULL, *result = NULL;
    if ((globals = PyEval_GetGlobals())) {
        Py_INCREF(globals);
        if (!(builtins = PyObject_GetItem(globals, STR(__builtins__)))) goto done;
    }
    else {
        if (!(builtins = PyImport_ImportModuleLevel("builtins", NULL, NULL, NULL, 0))) goto done;
        if (!(globals = Py_BuildValue("{OO}", STR(__builtins__), builtins))) goto done;
    }
    import = PyDict_Check(builtins) ? PyObject_GetItem(builtins, STR(__import__)) : PyObject_GetAttr(builtins, STR(__import__));
    if (!import) {
        if (PyDict_Check(builtins) && PyErr_ExceptionMatches(PyExc_KeyError)) {
            PyErr_Clear();
            PyErr_SetObject(PyExc_KeyError, STR(__import__));
        }
        goto done;
    }
    if (!(from = PyList_New(0))) goto done;
    PyObject *ignored = PyObject_CallFunction(import, "OOOOi", name, globals, globals, from, 0);
    if (!ignored) goto done;
    Py_DECREF(ignored);
    PyObject *modules = modules_checked();
    if (!modules) goto done;
    result = modules_get(modules, name);
    if (!result && !PyErr_Occurred()) PyErr_SetObject(PyExc_KeyError, name);
done:
    Py_XDECREF(globals);
    Py_XDECREF(builtins);
    Py_XDECREF(import);
    Py_XDECREF(from);
    return result;
}

PyObject *PyImport_ReloadModule(PyObject *module)
{
    PyObject *importlib = PyImport_GetModule(STR(importlib));
    if (!importlib) {
        if (PyErr_Occurred()) return NULL;
        if (!(importlib = PyImport_ImportModule("importlib"))) return NULL;
    }
    PyObject *result = PyObject_CallMethod(importlib, "reload", "O", module);
    Py_DECREF(importlib);
    return result;
}

/* The finder of a sys.path entry, cached in sys.path_importer_cache. */
PyObject *PyImport_GetImporter(PyObject *path)
{
    PyObject *cache = sys_get(STR(path_importer_cache)), *hooks = sys_get(STR(path_hooks));
    if (!cache || !hooks) {
        PyErr_SetString(PyExc_RuntimeError, "unable to get sys.path_importer_cache or sys.path_hooks");
        return NULL;
    }
    if (!PyList_Check(hooks)) {
        PyErr_SetString(PyExc_RuntimeError, "sys.path_hooks is not a list");
        return NULL;
    }
    PyObject *importer = PyDict_GetItemWithError(cache, path);
    if (importer || PyErr_Occurred()) return Py_XNewRef(importer);
    if (PyDict_SetItem(cache, path, Py_None) < 0) return NULL;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(hooks); i++) {
        PyObject *hook = Py_NewRef(PyList_GET_ITEM(hooks, i));
        importer = PyObject_CallOneArg(hook, path);
        Py_DECREF(hook);
        if (importer) break;
        if (!PyErr_ExceptionMatches(PyExc_ImportError)) return NULL;
        PyErr_Clear();
    }
    if (!importer) Py_RETURN_NONE;
    if (PyDict_SetItem(cache, path, importer) < 0) Py_CLEAR(importer);
    return importer;
}

/* ---- the import lock -------------------------------------------------------------------------------------------- */

void import_lock_acquire(void)
{
    ImportState *s = &interp_get()->runtime.import;
    unsigned long me = PyThread_get_thread_ident();
    pthread_mutex_lock(&s->mutex);
    if (s->lock_level && s->lock_thread == me) s->lock_level++;
    else {
        if (s->lock_level) {
            pthread_mutex_unlock(&s->mutex);
            PyThreadState *saved = PyEval_SaveThread();
            pthread_mutex_lock(&s->mutex);
            while (s->lock_level) pthread_cond_wait(&s->released, &s->mutex);
            s->lock_thread = me;
            s->lock_level = 1;
            pthread_mutex_unlock(&s->mutex);
            PyEval_RestoreThread(saved);
            return;
        }
        s->lock_thread = me;
        s->lock_level = 1;
    }
    pthread_mutex_unlock(&s->mutex);
}

int import_lock_release(void)
{
    ImportState *s = &interp_get()->runtime.import;
    int status = 0;
    pthread_mutex_lock(&s->mutex);
    if (!s->lock_level || s->lock_thread != PyThread_get_thread_ident()) status = -1;
    else if (--s->lock_level == 0) pthread_cond_signal(&s->released);
    pthread_mutex_unlock(&s->mutex);
    return status;
}

bool import_lock_held(void) { return interp_get()->runtime.import.lock_level > 0; }

/* The child has one thread; it is the owner when the parent's forking thread was. */
void import_after_fork_child(void)
{
    ImportState *s = &interp_get()->runtime.import;
    pthread_mutex_init(&s->mutex, NULL);
    pthread_cond_init(&s->released, NULL);
    extensions_lock_init();
    if (s->lock_level) s->lock_thread = PyThread_get_thread_ident();
}

/* ---- PyState_*: modules by definition ---------------------------------------------------------------------------- */

static Py_ssize_t module_index(PyModuleDef *def) { return def->m_base.m_index; }

PyObject *PyState_FindModule(PyModuleDef *def)
{
    if (def->m_slots) return NULL;
    PyObject *list = interp_get()->runtime.import.modules_by_index;
    Py_ssize_t i = module_index(def);
    if (i == 0 || !list || i >= PyList_GET_SIZE(list)) return NULL;
    PyObject *module = PyList_GET_ITEM(list, i);
    return module == Py_None ? NULL : module;
}

int import_remember_by_index(PyObject *module, PyModuleDef *def)
{
    PyObject **list = &interp_get()->runtime.import.modules_by_index;
    Py_ssize_t i = module_index(def);
    if (!*list && !(*list = PyList_New(0))) return -1;
    while (PyList_GET_SIZE(*list) <= i)
        if (PyList_Append(*list, Py_None) < 0) return -1;
    return PyList_SetItem(*list, i, Py_NewRef(module));
}

int PyState_AddModule(PyObject *module, PyModuleDef *def)
{
    if (!def) _Py_FatalErrorFunc(__func__, "module definition is NULL");
    if (def->m_slots) {
        PyErr_SetString(PyExc_SystemError, "PyState_AddModule called on module with slots");
        return -1;
    }
    PyObject *list = interp_get()->runtime.import.modules_by_index;
    Py_ssize_t i = module_index(def);
    if (list && i < PyList_GET_SIZE(list) && PyList_GET_ITEM(list, i) == module)
        _Py_FatalErrorFunc(__func__, "module already added");
    return import_remember_by_index(module, def);
}

int PyState_RemoveModule(PyModuleDef *def)
{
    if (def->m_slots) {
        PyErr_SetString(PyExc_SystemError, "PyState_RemoveModule called on module with slots");
        return -1;
    }
    PyObject *list = interp_get()->runtime.import.modules_by_index;
    Py_ssize_t i = module_index(def);
    if (i == 0) _Py_FatalErrorFunc(__func__, "invalid module index");
    if (!list) _Py_FatalErrorFunc(__func__, "Interpreters module-list not accessible.");
    if (i >= PyList_GET_SIZE(list)) _Py_FatalErrorFunc(__func__, "Module index out of bounds.");
    return PyList_SetItem(list, i, Py_NewRef(Py_None));
}

/* ---- start-up --------------------------------------------------------------------------------------------------- */

/* importlib._bootstrap as _frozen_importlib, installed for built-in and frozen modules. */
PyStatus import_init_bootstrap(PyThreadState *ts)
{
    RuntimeState *r = &ts->interp->runtime;
    if (PyImport_ImportFrozenModule("_frozen_importlib") <= 0)
        return status_error(__func__, "failed to import _frozen_importlib");
    PyObject *importlib = PyImport_AddModuleRef("_frozen_importlib");
    if (!importlib) return status_error(__func__, "failed to import _frozen_importlib");
    r->importlib = importlib;
    r->import.import_function = Py_XNewRef(PyDict_GetItemWithError(r->builtins, STR(__import__)));
    if (!r->import.import_function) return status_error(__func__, "__import__ not found");
    PyObject *imp = import_bootstrap_imp(ts);
    if (!imp) return status_error(__func__, "failed to import _imp");
    PyObject *modules = r->modules;
    if (PyDict_SetItemString(modules, "_imp", imp) < 0) return status_error(__func__, "failed to save _imp to sys.modules");
    PyObject *sys = PyDict_GetItemWithError(modules, STR(sys));
    PyObject *value = PyObject_CallMethod(importlib, "_install", "OO", sys ? sys : Py_None, imp);
    Py_DECREF(imp);
    if (!value) return status_error(__func__, "failed to install importlib");
    Py_DECREF(value);
    return PyStatus_Ok();
}

/* importlib._bootstrap_external and zipimport: files. */
PyStatus import_init_external(PyThreadState *ts)
{
    PyObject *value = PyObject_CallMethod(ts->interp->runtime.importlib, "_install_external_importers", NULL);
    if (!value) return status_error(__func__, "external importer setup failed");
    Py_DECREF(value);
    PyObject *hooks = sys_get(STR(path_hooks)), *module = PyImport_ImportModule("zipimport");
    if (!module) {
        PyErr_Clear();                      /* no zlib, say: then no zip files */
        return PyStatus_Ok();
    }
    PyObject *importer = PyObject_GetAttrString(module, "zipimporter");
    Py_DECREF(module);
    if (!importer) PyErr_Clear();
    else if (!hooks || PyList_Insert(hooks, 0, importer) < 0) {
        Py_DECREF(importer);
        return status_error(__func__, "initializing zipimport failed");
    }
    Py_XDECREF(importer);
    return PyStatus_Ok();
}
