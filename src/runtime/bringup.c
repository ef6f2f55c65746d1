/* Bring-up: runs a .pyc with as little of the runtime as that needs. Goes away when configuration and import stand. */
#include "runtime/state.h"
#include "runtime/runtime_private.h"
#include "runtime/import_private.h"

#include <marshal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void show_error(void)
{
    PyObject *e = PyErr_GetRaisedException();
    if (!e) { fputs("failed without exception\n", stderr); return; }
    fprintf(stderr, "bring-up: %s\n", Py_TYPE(e)->tp_name);
    PyObject *text = PyObject_Str(e);
    const char *utf8 = text ? PyUnicode_AsUTF8(text) : NULL;
    if (utf8) fprintf(stderr, "  %s\n", utf8);
    PyObject *tb = PyException_GetTraceback(e);
    for (PyTracebackObject *t = (PyTracebackObject *)tb; t; t = t->tb_next) {
        PyCodeObject *code = PyFrame_GetCode(t->tb_frame);
        fprintf(stderr, "  at %s:%d in %s\n", PyUnicode_AsUTF8(code->co_filename),
                t->tb_lineno >= 0 ? t->tb_lineno : PyCode_Addr2Line(code, t->tb_lasti), PyUnicode_AsUTF8(code->co_qualname));
    }
}

int bringup_main(int argc, char **argv)
{
    PyConfig config;
    PyConfig_InitPythonConfig(&config);
    PyThreadState *ts;
    const char *seed = getenv("PYTHONHASHSEED");
    config.use_hash_seed = seed != NULL;
    config.hash_seed = seed ? strtoul(seed, NULL, 10) : 0;
    config.int_max_str_digits = 4300;
    PyStatus status = runtime_init_core(&config, &ts);
    if (PyStatus_Exception(status)) {
        fprintf(stderr, "%s: %s\n", status.func, status.err_msg);
        show_error();
        return 1;
    }
    PyObject *printer = PyFile_NewStdPrinter(1);
    sys_set(STR(stdout), printer);
    if (getenv("TAIPAN_IMPORT")) {
        status = import_init_bootstrap(ts);
        if (PyStatus_Exception(status)) {
            fprintf(stderr, "%s: %s\n", status.func, status.err_msg);
            show_error();
            return 1;
        }
    }
    if (argc < 2) { puts("started"); return 0; }
    FILE *f = fopen(argv[1], "rb");
    if (!f) { perror(argv[1]); return 1; }
    static char buffer[1 << 24];
    size_t size = fread(buffer, 1, sizeof buffer, f);
    fclose(f);
    PyObject *code = PyMarshal_ReadObjectFromString(buffer + 16, (Py_ssize_t)size - 16);
    if (!code) { show_error(); return 1; }
    PyObject *main = PyImport_AddModuleRef("__main__");
    PyObject *dict = PyModule_GetDict(main);
    PyDict_SetItem(dict, STR(__builtins__), PyDict_GetItemString(ts->interp->runtime.modules, "builtins"));
    PyObject *value = PyEval_EvalCode(code, dict, dict);
    if (!value) { show_error(); return 1; }
    return 0;
}
