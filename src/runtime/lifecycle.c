/* Start and end of the runtime and of interpreters.
 *
 * Start: process (signals' table, seed) -> main interpreter and its thread -> static objects -> types -> exceptions ->
 * sys, builtins -> importlib -> configuration in sys -> files -> standard streams -> site. Each step may rely on those before.
 * End (Py_FinalizeEx): non-daemon threads -> atexit -> flush -> modules in CPython's order -> types and the rest. */
#include "runtime/state.h"
#include "runtime/runtime_private.h"
#include "runtime/import_private.h"
#include "runtime/errors.h"
#include "modules/sys_private.h"
#include "objects/long.h"
#include "objects/tuple.h"
#include "objects/type.h"
#include "objects/unicode.h"

#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define P (&_PyRuntime.runtime)

#define STATUS_ERROR(message) status_error(__func__, message)
#define RETURN_IF_EXCEPTION(status) do { PyStatus s_ = (status); if (PyStatus_Exception(s_)) return s_; } while (0)

/* Of other components; weak while the core is being brought up. */
#define OPTIONAL __attribute__((weak))
OPTIONAL void unicode_fini_interp(PyInterpreterState *interp);
OPTIONAL int eval_init(PyThreadState *ts);
OPTIONAL void eval_fini(PyInterpreterState *interp);
OPTIONAL PyObject *monitoring_module_new(void);
OPTIONAL PyObject *builtins_module_new(void);
OPTIONAL int _PyIO_fini_placeholder(void);

/* ---- the core --------------------------------------------------------------------------------------------------- */

static PyStatus init_types(PyThreadState *ts)
{
    Interpreter *interp = ts->interp;
    if (unicode_init_interp(interp) < 0) return PyStatus_NoMemory();
    if (types_init(interp) < 0) return STATUS_ERROR("can't initialize types");
    if (exceptions_init(interp) < 0) return STATUS_ERROR("failed to initialize an exception type");
    return PyStatus_Ok();
}

static int add_module(PyObject *modules, PyObject *name, PyObject *module) { return PyDict_SetItem(modules, name, module); }

static PyStatus init_builtins(PyThreadState *ts)
{
    RuntimeState *r = &ts->interp->runtime;
    PyObject *module = builtins_module_new();
    if (!module) return STATUS_ERROR("failed to create the builtins module");
    r->builtins = Py_NewRef(PyModule_GetDict(module));
    int failed = add_module(r->modules, STR(builtins), module) < 0 || exceptions_add_to_builtins(r->builtins) < 0;
    Py_DECREF(module);
    if (failed) return STATUS_ERROR("failed to add exceptions to builtins");
    if (!(r->builtins_copy = PyDict_Copy(r->builtins))) return PyStatus_NoMemory();
    return PyStatus_Ok();
}

static PyStatus init_sys(PyThreadState *ts)
{
    RuntimeState *r = &ts->interp->runtime;
    PyObject *module = sys_module_new(ts);
    if (!module) return STATUS_ERROR("can't initialize sys module");
    int failed = add_module(r->modules, STR(sys), module) < 0 || PyDict_SetItem(r->sysdict, STR(modules), r->modules) < 0;
    PyObject *printer = failed ? NULL : PyFile_NewStdPrinter(fileno(stderr));   /* until the real ones can be made */
    failed = !printer || PyDict_SetItem(r->sysdict, STR(stderr), printer) < 0 ||
             PyDict_SetItem(r->sysdict, STR(__stderr__), printer) < 0;
    Py_XDECREF(printer);
    Py_DECREF(module);
    if (failed) return STATUS_ERROR("can't initialize sys module");
    PyObject *list = PyList_New(0), *hooks = PyList_New(0), *cache = PyDict_New(), *path = PyList_New(0);
    failed = !list || !hooks || !cache || !path || PyDict_SetItem(r->sysdict, STR(meta_path), list) < 0 ||
             PyDict_SetItem(r->sysdict, STR(path_hooks), hooks) < 0 ||
             PyDict_SetItem(r->sysdict, STR(path_importer_cache), cache) < 0 || PyDict_SetItem(r->sysdict, STR(path), path) < 0;
    Py_XDECREF(list);
    Py_XDECREF(hooks);
    Py_XDECREF(cache);
    Py_XDECREF(path);
    if (failed) return STATUS_ERROR("initializing import failed");
    if (!(r->sysdict_copy = PyDict_Copy(r->sysdict))) return PyStatus_NoMemory();
    return PyStatus_Ok();
}

static PyStatus init_monitoring(PyThreadState *ts)
{
    if (!monitoring_module_new) return PyStatus_Ok();
    PyObject *module = monitoring_module_new();
    int failed = !module || PyDict_SetItemString(ts->interp->runtime.sysdict, "monitoring", module) < 0;
    Py_XDECREF(module);
    return failed ? STATUS_ERROR("can't initialize sys.monitoring") : PyStatus_Ok();
}

/* Everything that needs no file: afterwards built-in and frozen modules can be imported. */
static PyStatus interp_init_core(PyThreadState *ts)
{
    RuntimeState *r = &ts->interp->runtime;
    RETURN_IF_EXCEPTION(init_types(ts));
    if (!(r->modules = PyDict_New())) return PyStatus_NoMemory();
    if (eval_init && eval_init(ts) < 0) return STATUS_ERROR("can't initialize evaluation");
    RETURN_IF_EXCEPTION(init_sys(ts));
    RETURN_IF_EXCEPTION(init_monitoring(ts));
    RETURN_IF_EXCEPTION(init_builtins(ts));
    if (sys_set_config(ts) < 0) return STATUS_ERROR("can't set sys configuration");
    r->core_ready = true;
    return PyStatus_Ok();
}

PyStatus runtime_init_core(const PyConfig *config, PyThreadState **out)
{
    process_init();
    import_table_prepare();
    if (gil_init(&P->gil) < 0) return STATUS_ERROR("can't initialize GIL");
    Interpreter *interp = interp_new();
    if (!interp) return STATUS_ERROR("can't make main interpreter");
    RETURN_IF_EXCEPTION(config_copy(&interp->runtime.config, config));
    interp->runtime.gil = &P->gil;
    interp->runtime.feature_flags = FEATURE_OBMALLOC | FEATURE_THREADS | FEATURE_DAEMON_THREADS | FEATURE_FORK | FEATURE_EXEC;
    PyThreadState *ts = thread_new(interp);
    if (!ts) return PyStatus_NoMemory();
    P->main_thread_state = ts;
    thread_attach(ts);
    hash_init(config->use_hash_seed, config->hash_seed);
    unicode_init_static();
    RETURN_IF_EXCEPTION(interp_init_core(ts));
    P->core_initialized = true;
    *out = ts;
    return PyStatus_Ok();
}
