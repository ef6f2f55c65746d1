/* Start and end of the runtime and of interpreters.
 *
 * Start: process (signals' table, seed) -> main interpreter and its thread -> static objects -> types -> exceptions ->
 * sys, builtins -> importlib -> configuration in sys -> files -> standard streams -> site. Each step may rely on those before.
 * End (Py_FinalizeEx): non-daemon threads -> atexit -> flush -> modules in CPython's order -> types and the rest. */
#include "runtime/crossinterp.h"
#include "runtime/state.h"
#include "runtime/runtime_private.h"
#include "runtime/import_private.h"
#include "runtime/errors.h"
#include "memory/tracing.h"
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
#include <sys/stat.h>
#include <unistd.h>
#include <wchar.h>

#define P (&_PyRuntime.runtime)

#define STATUS_ERROR(message) status_error(__func__, message)
#define RETURN_IF_EXCEPTION(status) do { PyStatus s_ = (status); if (PyStatus_Exception(s_)) return s_; } while (0)

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
    if (eval_init(ts) < 0) return STATUS_ERROR("can't initialize evaluation");
    RETURN_IF_EXCEPTION(init_sys(ts));
    RETURN_IF_EXCEPTION(init_monitoring(ts));
    RETURN_IF_EXCEPTION(init_builtins(ts));
    if (sys_set_config(ts) < 0) return STATUS_ERROR("can't set sys configuration");
    r->core_ready = true;
    return PyStatus_Ok();
}

static PyStatus runtime_init_core(const PyConfig *config, PyThreadState **out)
{
    process_init();
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
    long_init_static();
    RETURN_IF_EXCEPTION(interp_init_core(ts));
    P->core_initialized = true;
    *out = ts;
    return PyStatus_Ok();
}

/* ---- the main phase --------------------------------------------------------------------------------------------- */

/* The codec of file names, known to the codec registry (and normalised by it when its name is unusual). */
static PyStatus init_fs_encoding(PyThreadState *ts)
{
    PyConfig *config = &ts->interp->runtime.config;
    PyObject *encodings = PyImport_ImportModule("encodings");
    if (!encodings) return PyStatus_Error("Failed to import encodings module");
    Py_DECREF(encodings);
    wchar_t **names[] = { &config->filesystem_encoding, &config->stdio_encoding };
    for (int i = 0; i < 2; i++) {
        if (!*names[i] || wcscmp(*names[i], L"utf-8") == 0) continue;
        PyObject *name = PyUnicode_FromWideChar(*names[i], -1), *codec = NULL, *shown = NULL, *codecs = NULL;
        if (name && (codecs = PyImport_ImportModule("_codecs"))) codec = PyObject_CallMethod(codecs, "lookup", "O", name);
        if (codec) shown = PyObject_GetAttr(codec, STR(name));
        wchar_t *wide = shown && PyUnicode_Check(shown) ? PyUnicode_AsWideCharString(shown, NULL) : NULL;
        Py_XDECREF(name);
        Py_XDECREF(codecs);
        Py_XDECREF(codec);
        Py_XDECREF(shown);
        if (!wide) return status_error(i ? "init_stdio_encoding" : "init_fs_encoding",
                                       i ? "failed to get the Python codec name of the stdio encoding"
                                         : "failed to get the Python codec of the filesystem encoding");
        PyMem_RawFree(*names[i]);
        *names[i] = wide_copy(wide);
        PyMem_Free(wide);
    }
    char *encoding = locale_encode_raw(config->filesystem_encoding), *errors = locale_encode_raw(config->filesystem_errors);
    int status = encoding && errors ? unicode_set_fs_codec(ts->interp, encoding, errors) : -1;
    PyMem_RawFree(encoding);
    PyMem_RawFree(errors);
    return status < 0 ? PyStatus_NoMemory() : PyStatus_Ok();
}

/* A standard stream over fd, None when the descriptor is closed. New reference. */
static PyObject *stream_new(const PyConfig *config, PyObject *io, int fd, bool writing, const char *name, const wchar_t *encoding,
                            const wchar_t *errors)
{
    PyObject *buffer = NULL, *raw = NULL, *text = NULL, *encoding_object = NULL, *errors_object = NULL, *stream = NULL, *type = NULL;
    struct stat status;
    if (fstat(fd, &status) < 0 && errno == EBADF) Py_RETURN_NONE;
    bool buffered = config->buffered_stdio || !writing;
    buffer = PyObject_CallMethod(io, "open", "isiOOOO", fd, writing ? "wb" : "rb", buffered ? -1 : 0, Py_None, Py_None, Py_None, Py_False);
    if (!buffer) goto done;
    if (buffered) raw = PyObject_GetAttrString(buffer, "raw");
    else raw = Py_NewRef(buffer);
    if (!raw || !(text = PyUnicode_FromString(name)) || PyObject_SetAttr(raw, STR(name), text) < 0) goto done;
    PyObject *tty = PyObject_CallMethodNoArgs(raw, STR(isatty));
    if (!tty) goto done;
    int is_tty = PyObject_IsTrue(tty);
    Py_DECREF(tty);
    if (is_tty < 0) goto done;
    PyObject *line_buffering = (is_tty && config->buffered_stdio) || fd == 2 ? Py_True : Py_False;
    PyObject *write_through = config->buffered_stdio ? Py_False : Py_True;
    encoding_object = PyUnicode_FromWideChar(encoding, -1);
    errors_object = PyUnicode_FromWideChar(errors, -1);
    type = PyObject_GetAttrString(io, "TextIOWrapper");
    if (!encoding_object || !errors_object || !type) goto done;
    stream = PyObject_CallFunction(type, "OOOsOO", buffer, encoding_object, errors_object, "\n", line_buffering, write_through);
    if (!stream) goto done;
    PyObject *mode = PyUnicode_FromString(writing ? "w" : "r");
    if (!mode || PyObject_SetAttrString(stream, "mode", mode) < 0) Py_CLEAR(stream);
    Py_XDECREF(mode);
done:
    Py_XDECREF(buffer);
    Py_XDECREF(raw);
    Py_XDECREF(text);
    Py_XDECREF(encoding_object);
    Py_XDECREF(errors_object);
    Py_XDECREF(type);
    if (!stream && PyErr_ExceptionMatches(PyExc_OSError) && fstat(fd, &status) < 0 && errno == EBADF) {
        PyErr_Clear();                      /* closed under our feet */
        Py_RETURN_NONE;
    }
    return stream;
}

static int stream_install(PyObject *name, PyObject *dunder, PyObject *stream)      /* stream stolen */
{
    int status = stream && sys_set(dunder, stream) == 0 && sys_set(name, stream) == 0 ? 0 : -1;
    Py_XDECREF(stream);
    return status;
}

static PyStatus init_streams(PyThreadState *ts)
{
    const PyConfig *config = &ts->interp->runtime.config;
    struct stat status;
    if (fstat(fileno(stdin), &status) == 0 && S_ISDIR(status.st_mode)) return PyStatus_Error("<stdin> is a directory, cannot continue");
    PyObject *io = PyImport_ImportModule("io");
    if (!io) return STATUS_ERROR("can't import io");
    PyObject *open = PyObject_GetAttrString(io, "open");
    int failed = !open || PyDict_SetItemString(ts->interp->runtime.builtins, "open", open) < 0;
    Py_XDECREF(open);
    failed = failed ||
        stream_install(STR(stdin), STR(__stdin__), stream_new(config, io, 0, false, "<stdin>", config->stdio_encoding, config->stdio_errors)) < 0 ||
        stream_install(STR(stdout), STR(__stdout__), stream_new(config, io, 1, true, "<stdout>", config->stdio_encoding, config->stdio_errors)) < 0 ||
        stream_install(STR(stderr), STR(__stderr__), stream_new(config, io, 2, true, "<stderr>", config->stdio_encoding, L"backslashreplace")) < 0;
    Py_DECREF(io);
    return failed ? status_error("init_sys_streams", "can't initialize sys standard streams") : PyStatus_Ok();
}

static PyStatus init_main_module(PyThreadState *ts)
{
    PyObject *module = PyImport_AddModuleRef("__main__");
    if (!module) return STATUS_ERROR("can't create __main__ module");
    PyObject *dict = PyModule_GetDict(module), *annotations = PyDict_New();
    int failed = !annotations || PyDict_SetItem(dict, STR(__annotations__), annotations) < 0;
    Py_XDECREF(annotations);
    PyObject *builtins = PyDict_GetItemWithError(ts->interp->runtime.modules, STR(builtins));
    failed = failed || !builtins || PyDict_SetItem(dict, STR(__builtins__), builtins) < 0;
    PyObject *loader = failed ? NULL : PyObject_GetAttrString(ts->interp->runtime.importlib, "BuiltinImporter");
    failed = !loader || PyDict_SetItem(dict, STR(__loader__), loader) < 0;
    Py_XDECREF(loader);
    Py_DECREF(module);
    return failed ? STATUS_ERROR("Failed to initialize __main__") : PyStatus_Ok();
}

static int import_and_forget(const char *name)
{
    PyObject *module = PyImport_ImportModule(name);
    Py_XDECREF(module);
    return module ? 0 : -1;
}

static PyStatus init_main(PyThreadState *ts)
{
    RuntimeState *r = &ts->interp->runtime;
    const PyConfig *config = &r->config;
    bool is_main = ts->interp == P->main_interpreter;
    if (!config->_install_importlib) return PyStatus_Ok();
    RETURN_IF_EXCEPTION(import_init_bootstrap(ts));
    RETURN_IF_EXCEPTION(import_init_external(ts));
    if (is_main && config->faulthandler && faulthandler_init(true) < 0)
        return STATUS_ERROR("failed to enable faulthandler");
    RETURN_IF_EXCEPTION(init_fs_encoding(ts));
    if (is_main) {
        if (config->install_signal_handlers) {
            PyOS_setsig(SIGPIPE, SIG_IGN);
            PyOS_setsig(SIGXFSZ, SIG_IGN);
        }
        if (import_and_forget("_signal") < 0) return STATUS_ERROR("can't import _signal");
        if (config->tracemalloc > 0) {
            if (tracing_start(config->tracemalloc) < 0) return STATUS_ERROR("can't start tracemalloc");
        }
    }
    RETURN_IF_EXCEPTION(init_streams(ts));
    RETURN_IF_EXCEPTION(init_main_module(ts));
    if (is_main) {
        PyObject *options = PySys_GetObject("warnoptions");
        if (options && PyList_Check(options) && PyList_GET_SIZE(options) > 0 && import_and_forget("warnings") < 0) {
            fprintf(stderr, "'import warnings' failed; traceback:\n");
            PyErr_Print();
        }
        P->initialized = true;
    }
    r->ready = true;
    if (config->site_import && import_and_forget("site") < 0) return STATUS_ERROR("Failed to import the site module");
    if (!is_main && config->sys_path_0) {                    /* the main interpreter's program did it for itself */
        PyObject *path = PySys_GetObject("path"), *first = PyUnicode_FromWideChar(config->sys_path_0, -1);
        int status = first && path && PyList_Check(path) ? PyList_Insert(path, 0, first) : -1;
        Py_XDECREF(first);
        if (status < 0) return STATUS_ERROR("can't initialize sys.path[0]");
    }
    return PyStatus_Ok();
}

PyStatus Py_InitializeFromConfig(const PyConfig *source)
{
    if (!source) return PyStatus_Error("initialization config is NULL");
    process_init();
    if (P->initialized) return PyStatus_Ok();
    PyConfig config;
    config_init_compat(&config);
    PyStatus status = config_copy(&config, source);
    if (!PyStatus_Exception(status)) status = config_preinitialize(&config, config.argv.length, NULL, config.argv.items);
    if (!PyStatus_Exception(status)) status = paths_take_settings(&config);
    if (!PyStatus_Exception(status)) status = config_read(&config);
    if (!PyStatus_Exception(status)) status = wide_list_copy(&P->orig_argv, &config.orig_argv);
    if (!PyStatus_Exception(status)) {
        config_set_global_flags(&config);
        if (!config.buffered_stdio && config.configure_c_stdio) {
            setvbuf(stdout, NULL, _IONBF, 0);
            setvbuf(stderr, NULL, _IONBF, 0);
        }
        else if (config.interactive && config.configure_c_stdio) setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
        PyThreadState *ts;
        status = runtime_init_core(&config, &ts);
        if (!PyStatus_Exception(status) && config._init_main) status = init_main(ts);
    }
    PyConfig_Clear(&config);
    return status;
}

PyStatus _Py_InitializeMain(void)
{
    PyThreadState *ts = PyThreadState_Get();
    if (ts->interp->runtime.ready) return PyStatus_Ok();
    return init_main(ts);
}

void Py_InitializeEx(int install_signal_handlers)
{
    if (P->initialized) return;
    PyConfig config;
    config_init_compat(&config);
    config.install_signal_handlers = install_signal_handlers;
    PyStatus status = Py_InitializeFromConfig(&config);
    PyConfig_Clear(&config);
    if (PyStatus_Exception(status)) Py_ExitStatusException(status);
}

void Py_Initialize(void) { Py_InitializeEx(1); }
int Py_IsInitialized(void) { return P->initialized; }
int Py_IsFinalizing(void) { return __atomic_load_n(&P->finalizing, __ATOMIC_ACQUIRE) != NULL; }

/* ---- the end ---------------------------------------------------------------------------------------------------- */

int Py_AtExit(void (*function)(void))
{
    if (P->exit_function_count >= PROCESS_EXIT_FUNCTIONS) return -1;
    P->exit_functions[P->exit_function_count++] = function;
    return 0;
}

static bool file_is_closed(PyObject *file)
{
    PyObject *closed = PyObject_GetAttrString(file, "closed");
    int result = closed ? PyObject_IsTrue(closed) : -1;
    Py_XDECREF(closed);
    if (result < 0) PyErr_Clear();
    return result > 0;
}

static int flush_std_files(void)
{
    int status = 0;
    PyObject *out = Py_XNewRef(sys_get(STR(stdout))), *err = Py_XNewRef(sys_get(STR(stderr)));
    if (out && out != Py_None && !file_is_closed(out)) {
        PyObject *result = PyObject_CallMethodNoArgs(out, STR(flush));
        if (!result) {
            PyErr_FormatUnraisable("Exception ignored on flushing sys.stdout");
            status = -1;
        }
        Py_XDECREF(result);
    }
    if (err && err != Py_None && !file_is_closed(err)) {
        PyObject *result = PyObject_CallMethodNoArgs(err, STR(flush));
        if (!result) {
            PyErr_Clear();
            status = -1;
        }
        Py_XDECREF(result);
    }
    Py_XDECREF(out);
    Py_XDECREF(err);
    return status;
}

/* Waits for threads that are not daemons, through threading when that is used. */
static void wait_for_threads(void)
{
    PyObject *threading = PyImport_GetModule(STR(threading));
    if (!threading) {
        if (PyErr_Occurred()) PyErr_FormatUnraisable("Exception ignored on threading shutdown");
        return;
    }
    PyObject *result = PyObject_CallMethodNoArgs(threading, STR(_shutdown));
    if (!result) PyErr_FormatUnraisable("Exception ignored on threading shutdown");
    Py_XDECREF(result);
    Py_DECREF(threading);
}

/* Values of a module's dict become None: names with one underscore first, then all but __builtins__. */
static void module_dict_clear(PyObject *dict)
{
    for (int step = 1; step <= 2; step++) {
        Py_ssize_t at = 0;
        PyObject *key, *value;
        while (PyDict_Next(dict, &at, &key, &value)) {
            if (value == Py_None || !PyUnicode_Check(key)) continue;
            Py_ssize_t length = PyUnicode_GET_LENGTH(key);
            bool one = length && PyUnicode_READ_CHAR(key, 0) == '_' && (length < 2 || PyUnicode_READ_CHAR(key, 1) != '_');
            if (step == 1 ? !one : length && PyUnicode_READ_CHAR(key, 0) == '_' && PyUnicode_EqualToUTF8(key, "__builtins__")) continue;
            if (PyDict_SetItem(dict, key, Py_None) < 0) PyErr_FormatUnraisable("Exception ignored on clearing module dict");
        }
    }
}

static void delete_special(RuntimeState *r)
{
    static const char *const sys_names[] = { "path", "argv", "ps1", "ps2", "last_exc", "last_type", "last_value", "last_traceback",
                                             "path_hooks", "path_importer_cache", "meta_path" };
    if (PyDict_SetItemString(r->builtins, "_", Py_None) < 0) PyErr_Clear();
    for (size_t i = 0; i < sizeof sys_names / sizeof *sys_names; i++) {
        if (r->config.verbose) PySys_WriteStderr("# clear sys.%s\n", sys_names[i]);
        if (PyDict_SetItemString(r->sysdict, sys_names[i], Py_None) < 0) PyErr_Clear();
    }
    static const char *const streams[][2] = { { "stdin", "__stdin__" }, { "stdout", "__stdout__" }, { "stderr", "__stderr__" } };
    for (int i = 0; i < 3; i++) {
        if (r->config.verbose) PySys_WriteStderr("# restore sys.%s\n", streams[i][0]);
        PyObject *value = PyDict_GetItemString(r->sysdict, streams[i][1]);
        if (PyDict_SetItemString(r->sysdict, streams[i][0], value ? value : Py_None) < 0) PyErr_Clear();
    }
}

/* sys.modules is emptied; what survives (referred to from elsewhere) is found again through weak references. */
static PyObject *remove_modules(RuntimeState *r)
{
    PyObject *list = PyList_New(0), *items = PyMapping_Items(r->modules);
    if (!list || !items) PyErr_Clear();
    for (Py_ssize_t i = 0; list && items && i < PyList_GET_SIZE(items); i++) {
        PyObject *name = PyTuple_GET_ITEM(PyList_GET_ITEM(items, i), 0), *module = PyTuple_GET_ITEM(PyList_GET_ITEM(items, i), 1);
        if (!PyModule_Check(module)) continue;
        if (r->config.verbose && PyUnicode_Check(name)) PySys_FormatStderr("# cleanup[2] removing %U\n", name);
        PyObject *reference = PyWeakref_NewRef(module, NULL), *pair = reference ? PyTuple_Pack(2, name, reference) : NULL;
        if (!pair || PyList_Append(list, pair) < 0) PyErr_Clear();
        Py_XDECREF(reference);
        Py_XDECREF(pair);
        if (PyObject_SetItem(r->modules, name, Py_None) < 0) PyErr_FormatUnraisable("Exception ignored on removing modules");
    }
    Py_XDECREF(items);
    return list;
}

static void clear_survivors(RuntimeState *r, PyObject *list)
{
    for (Py_ssize_t i = PyList_GET_SIZE(list) - 1; i >= 0; i--) {
        PyObject *pair = PyList_GET_ITEM(list, i), *module = NULL;
        if (PyWeakref_GetRef(PyTuple_GET_ITEM(pair, 1), &module) <= 0) {
            PyErr_Clear();
            continue;
        }
        PyObject *dict = PyModule_GetDict(module);
        if (dict != r->builtins && dict != r->sysdict) {
            PyObject *name = PyTuple_GET_ITEM(pair, 0);
            if (r->config.verbose && PyUnicode_Check(name)) PySys_FormatStderr("# cleanup[3] wiping %U\n", name);
            module_dict_clear(dict);
        }
        Py_DECREF(module);
    }
}

static void finalize_modules(PyThreadState *ts)
{
    RuntimeState *r = &ts->interp->runtime;
    if (!r->modules) return;
    delete_special(r);
    PyObject *survivors = remove_modules(r);
    if (PyDict_CheckExact(r->modules)) PyDict_Clear(r->modules);
    else if (PyObject_CallMethodNoArgs(r->modules, STR(clear)) == NULL) PyErr_Clear();
    if (r->builtins_copy) {
        PyObject *copy = PyDict_Copy(r->builtins);
        if (!copy) PyErr_Clear();
        PyDict_Clear(r->builtins);
        if (PyDict_Update(r->builtins, r->builtins_copy) < 0) PyErr_Clear();
        Py_XDECREF(copy);
        Py_CLEAR(r->builtins_copy);
    }
    Py_CLEAR(r->import.modules_by_index);
    gc_collect_at_exit(ts);
    gc_report_at_exit(ts);
    if (survivors) {
        clear_survivors(r, survivors);
        Py_DECREF(survivors);
    }
    if (r->config.verbose) PySys_WriteStderr("# cleanup[3] wiping sys\n");
    module_dict_clear(r->sysdict);
    if (r->config.verbose) PySys_WriteStderr("# cleanup[3] wiping builtins\n");
    module_dict_clear(r->builtins);
    gc_collect_at_exit(ts);
}

static void call_exit_functions(void)
{
    while (P->exit_function_count > 0) P->exit_functions[--P->exit_function_count]();
    fflush(stdout);
    fflush(stderr);
}

/* Daemon threads will not run again: what their states refer to goes while modules are still there. The states themselves
 * stay, their threads may look at them until the process ends. */
static void clear_daemon_threads(PyThreadState *ts)
{
    for (PyThreadState *other = ts->interp->runtime.threads; other;) {
        bool clear = other != ts && !other->_status.cleared;
        if (clear) PyThreadState_Clear(other);
        other = clear ? ts->interp->runtime.threads : other->next;      /* clearing runs code */
    }
}

int Py_FinalizeEx(void)
{
    if (!P->initialized) return 0;
    PyThreadState *ts = PyThreadState_Get();
    Interpreter *interp = ts->interp;
    int status = 0;
    wait_for_threads();
    pending_calls_run(ts);
    if (PyErr_Occurred()) PyErr_Clear();
    atexit_run(interp);
    subinterpreters_end(ts);
    __atomic_store_n(&interp->runtime.finalizing, ts, __ATOMIC_RELEASE);
    interp->runtime.finalizing_thread = PyThread_get_thread_ident();
    __atomic_store_n(&P->finalizing, ts, __ATOMIC_RELEASE);
    clear_daemon_threads(ts);
    if (flush_std_files() < 0) status = -1;
    P->initialized = false;
    P->core_initialized = false;
    signals_fini();
    gc_collect_at_exit(ts);
    finalize_modules(ts);
    if (interp->runtime.sysdict && flush_std_files() < 0) status = -1;
    extensions_drop(interp);
    faulthandler_fini();
    tracing_stop();
    call_exit_functions();
    /* The rest of the memory goes with the process; an embedder that starts again gets a new interpreter. */
    PyEval_SetTrace(NULL, NULL);
    lists_lock();
    for (Interpreter **p = &P->interpreters; *p; p = &(*p)->runtime.next)
        if (*p == interp) { *p = interp->runtime.next; break; }
    P->main_interpreter = NULL;
    P->main_thread_state = NULL;
    lists_unlock();
    gilstate_forget();
    thread_detach(ts);
    return status;
}

void Py_Finalize(void) { Py_FinalizeEx(); }

void _Py_NO_RETURN Py_Exit(int status)
{
    if (thread_current && Py_FinalizeEx() < 0) status = 120;
    exit(status);
}

/* ---- sub-interpreters ------------------------------------------------------------------------------------------- */

PyStatus Py_NewInterpreterFromConfig(PyThreadState **out, const PyInterpreterConfig *settings)
{
    *out = NULL;
    if (!P->initialized) return PyStatus_Error("Py_Initialize must be called first");
    if (!settings->use_main_obmalloc && !settings->check_multi_interp_extensions)
        return PyStatus_Error("per-interpreter obmalloc does not support single-phase init extension modules");
    if (settings->gil < PyInterpreterConfig_DEFAULT_GIL || settings->gil > PyInterpreterConfig_OWN_GIL)
        return PyStatus_Error("invalid interpreter config 'gil' value");
    PyThreadState *saved = (PyThreadState *)thread_current;
    interp_adopt_ended();
    Interpreter *interp = interp_new();
    if (!interp) return PyStatus_NoMemory();
    interp->runtime.whence = WHENCE_CAPI;
    PyStatus status = config_copy(&interp->runtime.config, &P->main_interpreter->runtime.config);
    PyThreadState *ts = NULL;
    if (!PyStatus_Exception(status)) {
        interp->runtime.gil = settings->gil == PyInterpreterConfig_OWN_GIL ? &interp->runtime.own_gil
                              : &P->gil;
        if (settings->gil == PyInterpreterConfig_OWN_GIL && gil_init(&interp->runtime.own_gil) < 0) status = PyStatus_NoMemory();
        interp->runtime.feature_flags = (settings->use_main_obmalloc ? FEATURE_OBMALLOC : 0) | (settings->allow_fork ? FEATURE_FORK : 0) |
            (settings->allow_exec ? FEATURE_EXEC : 0) | (settings->allow_threads ? FEATURE_THREADS : 0) |
            (settings->allow_daemon_threads ? FEATURE_DAEMON_THREADS : 0) |
            (settings->check_multi_interp_extensions ? FEATURE_MULTI_INTERP : 0);
        if (!PyStatus_Exception(status) && !(ts = thread_new(interp))) status = PyStatus_NoMemory();
    }
    if (!PyStatus_Exception(status)) {
        if (saved && saved->interp->runtime.gil == interp->runtime.gil) PyThreadState_Swap(ts);
        else {
            if (saved) thread_detach(saved);
            thread_attach(ts);
        }
        status = interp_init_core(ts);
        if (!PyStatus_Exception(status)) status = init_main(ts);
    }
    if (!PyStatus_Exception(status)) {
        *out = ts;
        return status;
    }
    if (!ts) {
        PyInterpreterState_Delete(interp);
        return status;
    }
    PyErr_PrintEx(0);
    PyInterpreterState_Clear(interp);
    Gil *gil = interp->runtime.gil;
    PyInterpreterState_Delete(interp);
    if (gil == &P->gil) gil_release_anonymous(gil);
    PyThreadState_Swap(saved);
    return status;
}

PyThreadState *Py_NewInterpreter(void)
{
    PyThreadState *ts = NULL;
    const PyInterpreterConfig settings = _PyInterpreterConfig_LEGACY_INIT;
    PyStatus status = Py_NewInterpreterFromConfig(&ts, &settings);
    if (PyStatus_Exception(status)) Py_ExitStatusException(status);
    ts->interp->runtime.whence = WHENCE_LEGACY_CAPI;
    return ts;
}

void Py_EndInterpreter(PyThreadState *ts)
{
    Interpreter *interp = ts->interp;
    if (ts != (PyThreadState *)thread_current) _Py_FatalErrorFunc(__func__, "thread is not current");
    if (ts->current_frame) _Py_FatalErrorFunc(__func__, "thread still has a frame");
    wait_for_threads();
    pending_calls_run(ts);
    if (PyErr_Occurred()) PyErr_Clear();
    atexit_run(interp);
    if (ts->next || ts->prev) _Py_FatalErrorFunc(__func__, "not the last thread");
    __atomic_store_n(&interp->runtime.finalizing, ts, __ATOMIC_RELEASE);
    flush_std_files();
    gc_collect_at_exit(ts);
    finalize_modules(ts);
    PyInterpreterState_Clear(interp);
    Gil *gil = interp->runtime.gil;
    bool own = gil == &interp->runtime.own_gil;
    PyInterpreterState_Delete(interp);                       /* its own GIL with it */
    if (!own) gil_release_anonymous(gil);
}

/* At the end of the main interpreter: those that are still there end too. */
void subinterpreters_end(PyThreadState *ts)
{
    for (;;) {
        Interpreter *other = P->interpreters;
        while (other && other == P->main_interpreter) other = other->runtime.next;
        if (!other) return;
        PyThreadState *theirs = other->runtime.threads ? other->runtime.threads : thread_new(other);
        if (!theirs || theirs->next) return;                 /* threads of its own still run */
        PyThreadState_Swap(theirs);
        Py_EndInterpreter(theirs);
        PyThreadState_Swap(ts);
        if (!thread_current) thread_attach(ts);
    }
}

/* ---- failing ---------------------------------------------------------------------------------------------------- */

void _Py_NO_RETURN Py_ExitStatusException(PyStatus status)
{
    if (PyStatus_IsExit(status)) exit(status.exitcode);
    if (PyStatus_IsError(status)) fatal_status(status);
    _Py_FatalErrorFunc(__func__, "Py_ExitStatusException() must not be called on success");
}
