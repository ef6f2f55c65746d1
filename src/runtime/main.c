/* The program: a configuration from the arguments, then what it asks to run. */
#include "runtime/state.h"
#include "runtime/runtime_private.h"
#include "runtime/import_private.h"
#include "modules/sys_private.h"

#include <errno.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wchar.h>

#define P (&_PyRuntime.runtime)

static int exit_after_error(void)
{
    int code;
    if (exit_requested(&code)) return code;
    PyErr_Print();
    return 1;
}

/* ---- what can be run -------------------------------------------------------------------------------------------- */

static int run_command(const wchar_t *command)
{
    PyObject *text = PyUnicode_FromWideChar(command, -1), *bytes = NULL, *name = NULL;
    int status = -1;
    if (!text) goto error;
    if (PySys_Audit("cpython.run_command", "O", text) < 0) goto error;
    if (!(bytes = PyUnicode_AsUTF8String(text)) || !(name = PyUnicode_InternFromString("<string>"))) goto error;
    PyCompilerFlags flags = _PyCompilerFlags_INIT;
    flags.cf_flags |= PyCF_IGNORE_COOKIE;
    status = run_simple_string_named(PyBytes_AS_STRING(bytes), name, &flags);
    Py_DECREF(text);
    Py_DECREF(bytes);
    Py_DECREF(name);
    return status != 0;
error:
    PySys_WriteStderr("Unable to decode the command from the command line:\n");
    Py_XDECREF(text);
    Py_XDECREF(bytes);
    return exit_after_error();
}

static int run_module(const wchar_t *name, bool set_argv0)
{
    PyObject *module_name = PyUnicode_FromWideChar(name, -1), *runpy = NULL, *function = NULL, *result = NULL;
    if (!module_name || PySys_Audit("cpython.run_module", "O", module_name) < 0) goto error;
    if (!(runpy = PyImport_ImportModule("runpy"))) {
        fprintf(stderr, "Could not import runpy module\n");
        goto error;
    }
    if (!(function = PyObject_GetAttrString(runpy, "_run_module_as_main"))) {
        fprintf(stderr, "Could not access runpy._run_module_as_main\n");
        goto error;
    }
    P->unhandled_interrupt = false;
    result = PyObject_CallFunctionObjArgs(function, module_name, set_argv0 ? Py_True : Py_False, NULL);
error:
    Py_XDECREF(module_name);
    Py_XDECREF(runpy);
    Py_XDECREF(function);
    if (!result) return exit_after_error();
    Py_DECREF(result);
    return 0;
}

static int run_file_named(const PyConfig *config, PyCompilerFlags *flags)
{
    PyObject *filename = PyUnicode_FromWideChar(config->run_filename, -1);
    if (!filename) {
        PyErr_Print();
        return -1;
    }
    if (PySys_Audit("cpython.run_file", "O", filename) < 0) {
        Py_DECREF(filename);
        return exit_after_error();
    }
    FILE *fp = NULL;
    PyObject *bytes = PyUnicode_EncodeFSDefault(filename);
    if (bytes) {
        do fp = file_open_cloexec(PyBytes_AS_STRING(bytes), "rb"); while (!fp && errno == EINTR);
        Py_DECREF(bytes);
    }
    else PyErr_Clear();
    if (!fp) {
        int error = errno;
        PySys_FormatStderr("%S: can't open file %R: [Errno %d] %s\n", PyUnicode_FromWideChar(config->program_name, -1), filename, error,
                           strerror(error));
        Py_DECREF(filename);
        return 2;
    }
    if (config->skip_source_first_line) {
        int c;
        while ((c = getc(fp)) != EOF) {
            if (c == '\n') {
                ungetc(c, fp);
                break;
            }
        }
    }
    struct stat status;
    if (fstat(fileno(fp), &status) == 0 && S_ISDIR(status.st_mode)) {
        PySys_FormatStderr("%S: %R is a directory, cannot continue\n", PyUnicode_FromWideChar(config->program_name, -1), filename);
        fclose(fp);
        Py_DECREF(filename);
        return 1;
    }
    if (Py_MakePendingCalls() < 0) {
        fclose(fp);
        Py_DECREF(filename);
        return exit_after_error();
    }
    int run = run_any_file(fp, filename, 1, flags);
    Py_DECREF(filename);
    return run != 0;
}

/* PYTHONSTARTUP. */
static int run_startup(PyCompilerFlags *flags)
{
    const PyConfig *config = interp_config(interp_get());
    const char *name = config->use_environment ? getenv("PYTHONSTARTUP") : NULL;
    if (!name || !*name) return 0;
    PyObject *filename = PyUnicode_DecodeFSDefault(name);
    if (!filename || PySys_Audit("cpython.run_startup", "O", filename) < 0) {
        Py_XDECREF(filename);
        PyErr_Print();
        return 1;
    }
    FILE *fp = file_open_cloexec(name, "r");
    if (!fp) {
        int error = errno;
        PySys_WriteStderr("Could not open PYTHONSTARTUP\n");
        errno = error;
        PyErr_SetFromErrnoWithFilenameObjects(PyExc_OSError, filename, NULL);
        PyErr_Print();
    }
    else {
        run_simple_file(fp, filename, 0, flags);
        PyErr_Clear();
        fclose(fp);
    }
    Py_DECREF(filename);
    return 0;
}

static int run_interactive_hook(void)
{
    PyObject *hook = PySys_GetObject("__interactivehook__");
    if (!hook) return 0;
    Py_INCREF(hook);
    if (PySys_Audit("cpython.run_interactivehook", "O", hook) < 0) goto error;
    PyObject *result = PyObject_CallNoArgs(hook);
    Py_DECREF(hook);
    if (!result) {
        hook = NULL;
        goto error;
    }
    Py_DECREF(result);
    return 0;
error:
    PySys_WriteStderr("Failed calling sys.__interactivehook__\n");
    Py_XDECREF(hook);
    PyErr_Print();
    return 1;
}

static bool stdin_is_interactive(const PyConfig *config) { return isatty(fileno(stdin)) || config->interactive; }

/* The shell that the library has in Python, unless there is no terminal or PYTHON_BASIC_REPL asks for the plain prompt. */
static bool new_shell_wanted(const PyConfig *config)
{
    const char *basic = config->use_environment ? getenv("PYTHON_BASIC_REPL") : NULL;
    return isatty(fileno(stdin)) && !(basic && *basic);
}

/* That shell, in the __main__ of the program that ran. */
static int run_shell_after(void)
{
    PyObject *module = PyImport_ImportModule("_pyrepl.main"), *console = NULL, *nothing = NULL, *options = NULL, *result = NULL;
    if (!module) {
        fprintf(stderr, "Could not import _pyrepl.main\n");
        return exit_after_error();
    }
    if ((console = PyObject_GetAttrString(module, "interactive_console")) && (nothing = PyTuple_New(0)) &&
        (options = Py_BuildValue("{sO}", "pythonstartup", Py_True))) result = PyObject_Call(console, nothing, options);
    Py_XDECREF(options);
    Py_XDECREF(nothing);
    Py_XDECREF(console);
    Py_DECREF(module);
    if (!result) return exit_after_error();
    Py_DECREF(result);
    return 0;
}

static int run_stdin(PyConfig *config, PyCompilerFlags *flags)
{
    if (stdin_is_interactive(config)) {
        config->inspect = 0;                /* after the prompt there is nothing more to inspect */
        inspect_flag_set(0);
        if (run_startup(flags)) return exit_after_error();
        if (run_interactive_hook()) return exit_after_error();
    }
    if (Py_MakePendingCalls() < 0) return exit_after_error();
    if (PySys_Audit("cpython.run_stdin", NULL) < 0) return exit_after_error();
    if (new_shell_wanted(config)) return run_module(L"_pyrepl", false);
    return PyRun_AnyFileExFlags(stdin, "<stdin>", 0, flags) != 0;
}

/* -i, or PYTHONINSPECT, which the program may have set: a prompt afterwards. */
static void run_prompt_after(PyConfig *config, PyCompilerFlags *flags, int *status)
{
    const char *inspect = config->use_environment ? getenv("PYTHONINSPECT") : NULL;
    if (!inspect_flag() && inspect && *inspect) inspect_flag_set(1), config->inspect = 1;
    if (!(inspect_flag() && stdin_is_interactive(config))) return;
    config->inspect = 0;
    inspect_flag_set(0);
    if (run_interactive_hook()) return;
    if (new_shell_wanted(config)) *status = run_shell_after() != 0;
    else *status = PyRun_AnyFileExFlags(stdin, "<stdin>", 0, flags) != 0;
}

/* ---- before running --------------------------------------------------------------------------------------------- */

static void print_header(const PyConfig *config)
{
    if (config->quiet) return;
    if (!config->verbose && (config->run_command || config->run_filename || config->run_module || !stdin_is_interactive(config))) return;
    fprintf(stderr, "Python %s on %s\n", Py_GetVersion(), Py_GetPlatform());
    if (config->site_import)
        fprintf(stderr, "Type \"help\", \"copyright\", \"credits\" or \"license\" for more information.\n");
}

static void import_readline(const PyConfig *config)
{
    if (config->isolated) return;
    if (!inspect_flag() && (config->run_command || config->run_filename || config->run_module)) return;
    if (!stdin_is_interactive(config) && !inspect_flag()) return;
    static const char *const names[] = { "readline", "rlcompleter" };
    for (int i = 0; i < 2; i++) {
        PyObject *module = PyImport_ImportModule(names[i]);
        if (!module) PyErr_Clear();
        Py_XDECREF(module);
    }
}

/* The path itself when it is a folder or zip file that can be imported from. New reference or NULL. */
static PyObject *importable_program(const wchar_t *filename, int *failed)
{
    PyObject *path = PyUnicode_FromWideChar(filename, -1);
    PyObject *importer = path ? PyImport_GetImporter(path) : NULL;
    if (!importer) {
        *failed = 1;
        PySys_WriteStderr("Failed checking if argv[0] is an import path entry\n");
        PyErr_Print();
    }
    bool usable = importer && importer != Py_None;
    Py_XDECREF(importer);
    if (usable) return path;
    Py_XDECREF(path);
    return NULL;
}

static int path_prepend(PyObject *first)
{
    PyObject *path = sys_get(STR(path));
    if (!path) {
        PyErr_SetString(PyExc_RuntimeError, "unable to get sys.path");
        return -1;
    }
    return PyList_Insert(path, 0, first);
}

static int run_program(void)
{
    Interpreter *interp = interp_get();
    PyConfig *config = &interp->runtime.config;
    PyObject *program = NULL, *first = NULL;
    PyCompilerFlags flags = _PyCompilerFlags_INIT;
    int status = 0, failed = 0;
    if (config->run_filename) {
        program = importable_program(config->run_filename, &failed);
        if (failed) return 1;
    }
    if (program) status = path_prepend(program);
    else if (!config->safe_path) {
        int found = main_path_compute(&config->argv, &first);
        if (found < 0) status = -1;
        else if (found) {
            status = path_prepend(first);
            if (!status && !config->sys_path_0) {
                wchar_t *wide = PyUnicode_AsWideCharString(first, NULL);
                if (wide) config->sys_path_0 = wide_copy(wide);
                PyMem_Free(wide);
            }
        }
        Py_XDECREF(first);
    }
    if (status < 0) {
        Py_XDECREF(program);
        return exit_after_error();
    }
    print_header(config);
    import_readline(config);
    /* What starting up left is old: the program's own objects decide when the collector runs first. */
    gc_collect_generation(PyThreadState_Get(), 0);
    interp->runtime.running_main = true;
    if (config->run_command) status = run_command(config->run_command);
    else if (config->run_module) status = run_module(config->run_module, true);
    else if (program) status = run_module(L"__main__", false);
    else if (config->run_filename) status = run_file_named(config, &flags);
    else status = run_stdin(config, &flags);
    run_prompt_after(config, &flags, &status);
    interp->runtime.running_main = false;
    Py_XDECREF(program);
    return status;
}

/* An unhandled KeyboardInterrupt ends the process by the signal, so that shells stop their loops too. */
static int exit_by_interrupt(void)
{
    if (PyOS_setsig(SIGINT, SIG_DFL) != SIG_ERR) kill(getpid(), SIGINT);
    return 128 + SIGINT;
}

int Py_RunMain(void)
{
    int status = run_program();
    bool interrupted = P->unhandled_interrupt;
    if (Py_FinalizeEx() < 0) status = 120;
    return interrupted ? exit_by_interrupt() : status;
}

/* ---- entry points ----------------------------------------------------------------------------------------------- */

static int main_with(Py_ssize_t argc, char **bytes, wchar_t **wide)
{
    PyPreConfig pre;
    PyConfig config;
    PyPreConfig_InitPythonConfig(&pre);
    PyStatus status = bytes ? Py_PreInitializeFromBytesArgs(&pre, argc, bytes) : Py_PreInitializeFromArgs(&pre, argc, wide);
    if (PyStatus_Exception(status)) Py_ExitStatusException(status);
    PyConfig_InitPythonConfig(&config);
    status = bytes ? PyConfig_SetBytesArgv(&config, argc, bytes) : PyConfig_SetArgv(&config, argc, wide);
    if (!PyStatus_Exception(status)) status = Py_InitializeFromConfig(&config);
    PyConfig_Clear(&config);
    if (PyStatus_IsExit(status)) {
        fflush(stdout);
        return status.exitcode;
    }
    if (PyStatus_Exception(status)) Py_ExitStatusException(status);
    return Py_RunMain();
}

int Py_BytesMain(int argc, char **argv) { return main_with(argc, argv, NULL); }
int Py_Main(int argc, wchar_t **argv) { return main_with(argc, NULL, argv); }

/* A program made by the freeze tool: __main__ is a frozen module. */
int Py_FrozenMain(int argc, char **argv)
{
    PyConfig config;
    PyConfig_InitPythonConfig(&config);
    config.pathconfig_warnings = 0;
    config.parse_argv = 0;
    PyStatus status = PyConfig_SetBytesArgv(&config, argc, argv);
    if (!PyStatus_Exception(status)) status = Py_InitializeFromConfig(&config);
    PyConfig_Clear(&config);
    if (PyStatus_Exception(status)) Py_ExitStatusException(status);
    int found = PyImport_ImportFrozenModule("__main__"), result = 0;
    if (found == 0) _Py_FatalErrorFunc(__func__, "the __main__ module is not frozen");
    if (found < 0) {
        PyErr_Print();
        result = 1;
    }
    const char *inspect = getenv("PYTHONINSPECT");
    if (inspect && *inspect && isatty(fileno(stdin))) result = PyRun_AnyFile(stdin, "<stdin>") != 0;
    if (Py_FinalizeEx() < 0) result = 120;
    return result;
}

#ifndef TAIPAN_NO_MAIN                                                   /* fuzz targets bring their own */
int main(int argc, char **argv)
{
#ifdef __GLIBC__
    /* Tables of some 100 KB come and go; by default glibc gives each back to the system and faults it in anew. */
    mallopt(M_MMAP_THRESHOLD, 16 << 20);
    mallopt(M_TRIM_THRESHOLD, 16 << 20);
#endif
    memory_faults_from_environment();
    return frozen_blob.count ? Py_BytesMain(argc, argv) : freeze_main(argc, argv);
}
#endif
