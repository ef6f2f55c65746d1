/* PyStatus, PyWideStringList, PyPreConfig and PyConfig as data: making, copying, filling. The fields are listed once, in
 * config_fields.def. Reading the command line and the environment is in config_read.c. */
#include "runtime/state.h"
#include "runtime/runtime_private.h"

#include <string.h>
#include <wchar.h>

#define P (&_PyRuntime.runtime)

/* ---- PyStatus --------------------------------------------------------------------------------------------------- */

PyStatus PyStatus_Ok(void) { return (PyStatus){ ._type = _PyStatus_TYPE_OK }; }

PyStatus PyStatus_Error(const char *message)
{
    return (PyStatus){ ._type = _PyStatus_TYPE_ERROR, .err_msg = message };
}

PyStatus status_error(const char *function, const char *message)
{
    return (PyStatus){ ._type = _PyStatus_TYPE_ERROR, .func = function, .err_msg = message };
}

PyStatus PyStatus_NoMemory(void) { return PyStatus_Error("memory allocation failed"); }
PyStatus PyStatus_Exit(int code) { return (PyStatus){ ._type = _PyStatus_TYPE_EXIT, .exitcode = code }; }
int PyStatus_IsError(PyStatus status) { return status._type == _PyStatus_TYPE_ERROR; }
int PyStatus_IsExit(PyStatus status) { return status._type == _PyStatus_TYPE_EXIT; }
int PyStatus_Exception(PyStatus status) { return status._type != _PyStatus_TYPE_OK; }

/* ---- wide strings and lists ------------------------------------------------------------------------------------- */

wchar_t *wide_copy(const wchar_t *text)
{
    size_t size = (wcslen(text) + 1) * sizeof *text;
    wchar_t *copy = PyMem_RawMalloc(size);
    if (copy) memcpy(copy, text, size);
    return copy;
}

void wide_list_clear(PyWideStringList *list)
{
    for (Py_ssize_t i = 0; i < list->length; i++) PyMem_RawFree(list->items[i]);
    PyMem_RawFree(list->items);
    list->items = NULL;
    list->length = 0;
}

PyStatus wide_list_copy(PyWideStringList *to, const PyWideStringList *from)
{
    PyWideStringList copy = { 0 };
    if (from->length) {
        copy.items = PyMem_RawCalloc((size_t)from->length, sizeof *copy.items);
        if (!copy.items) return PyStatus_NoMemory();
        for (; copy.length < from->length; copy.length++) {
            if (!(copy.items[copy.length] = wide_copy(from->items[copy.length]))) {
                wide_list_clear(&copy);
                return PyStatus_NoMemory();
            }
        }
    }
    wide_list_clear(to);
    *to = copy;
    return PyStatus_Ok();
}

PyStatus PyWideStringList_Insert(PyWideStringList *list, Py_ssize_t index, const wchar_t *item)
{
    if (list->length == PY_SSIZE_T_MAX) return PyStatus_NoMemory();
    if (index < 0) return PyStatus_Error("PyWideStringList_Insert index must be >= 0");
    if (index > list->length) index = list->length;
    wchar_t *copy = wide_copy(item);
    if (!copy) return PyStatus_NoMemory();
    wchar_t **items = PyMem_RawRealloc(list->items, ((size_t)list->length + 1) * sizeof *items);
    if (!items) {
        PyMem_RawFree(copy);
        return PyStatus_NoMemory();
    }
    memmove(items + index + 1, items + index, (size_t)(list->length - index) * sizeof *items);
    items[index] = copy;
    list->items = items;
    list->length++;
    return PyStatus_Ok();
}

PyStatus PyWideStringList_Append(PyWideStringList *list, const wchar_t *item)
{
    return PyWideStringList_Insert(list, list->length, item);
}

/* ---- PyPreConfig ------------------------------------------------------------------------------------------------ */

enum { INIT_COMPAT = 1, INIT_PYTHON = 2, INIT_ISOLATED = 3 };

void PyPreConfig_InitPythonConfig(PyPreConfig *config)
{
    *config = (PyPreConfig){
        ._config_init = INIT_PYTHON, .parse_argv = 1, .isolated = -1, .use_environment = -1, .configure_locale = 1,
        .coerce_c_locale = -1, .coerce_c_locale_warn = -1, .utf8_mode = -1, .dev_mode = -1, .allocator = 0,
    };
}

void PyPreConfig_InitIsolatedConfig(PyPreConfig *config)
{
    *config = (PyPreConfig){
        ._config_init = INIT_ISOLATED, .parse_argv = 0, .isolated = 1, .use_environment = 0, .configure_locale = 0,
        .coerce_c_locale = 0, .coerce_c_locale_warn = 0, .utf8_mode = 0, .dev_mode = 0, .allocator = 0,
    };
}

static void preconfig_init_compat(PyPreConfig *config)
{
    *config = (PyPreConfig){
        ._config_init = INIT_COMPAT, .parse_argv = 0, .isolated = -1, .use_environment = -1, .configure_locale = 1,
        .coerce_c_locale = 0, .coerce_c_locale_warn = 0, .utf8_mode = 0, .dev_mode = -1, .allocator = 0,
    };
}

/* ---- PyConfig --------------------------------------------------------------------------------------------------- */

void config_init_compat(PyConfig *config)
{
    memset(config, 0, sizeof *config);
    config->_config_init = INIT_COMPAT;
#define INT(name, compat, python, isolated) config->name = compat;
#define ULONG(name)
#define STRING(name)
#define LIST(name)
#include "runtime/config_fields.def"
}

void PyConfig_InitPythonConfig(PyConfig *config)
{
    memset(config, 0, sizeof *config);
    config->_config_init = INIT_PYTHON;
#define INT(name, compat, python, isolated) config->name = python;
#define ULONG(name)
#define STRING(name)
#define LIST(name)
#include "runtime/config_fields.def"
}

void PyConfig_InitIsolatedConfig(PyConfig *config)
{
    memset(config, 0, sizeof *config);
    config->_config_init = INIT_ISOLATED;
#define INT(name, compat, python, isolated_) config->name = isolated_;
#define ULONG(name)
#define STRING(name)
#define LIST(name)
#include "runtime/config_fields.def"
}

void PyConfig_Clear(PyConfig *config)
{
#define INT(name, compat, python, isolated)
#define ULONG(name)
#define STRING(name) PyMem_RawFree(config->name); config->name = NULL;
#define LIST(name) wide_list_clear(&config->name);
#include "runtime/config_fields.def"
}

static PyStatus set_string(wchar_t **field, const wchar_t *text)
{
    wchar_t *copy = NULL;
    if (text && !(copy = wide_copy(text))) return PyStatus_NoMemory();
    PyMem_RawFree(*field);
    *field = copy;
    return PyStatus_Ok();
}

PyStatus config_copy(PyConfig *to, const PyConfig *from)
{
    PyStatus status;
    PyConfig_Clear(to);
    to->_config_init = from->_config_init;
#define INT(name, compat, python, isolated) to->name = from->name;
#define ULONG(name) to->name = from->name;
#define STRING(name) if (PyStatus_Exception(status = set_string(&to->name, from->name))) return status;
#define LIST(name) if (PyStatus_Exception(status = wide_list_copy(&to->name, &from->name))) return status;
#include "runtime/config_fields.def"
    return PyStatus_Ok();
}

/* PyConfig_Set*: strings may come before preinitialization, which they then cause with this configuration's settings. */
PyStatus config_preinitialize(PyConfig *config, Py_ssize_t argc, char *const *bytes, wchar_t *const *wide)
{
    if (P->preinitialized) return PyStatus_Ok();
    PyPreConfig pre;
    if (config->_config_init == INIT_ISOLATED) PyPreConfig_InitIsolatedConfig(&pre);
    else if (config->_config_init == INIT_PYTHON) PyPreConfig_InitPythonConfig(&pre);
    else preconfig_init_compat(&pre);
    if (config->isolated != -1) pre.isolated = config->isolated;
    if (config->use_environment != -1) pre.use_environment = config->use_environment;
    if (config->dev_mode != -1) pre.dev_mode = config->dev_mode;
    if (config->_config_init != INIT_COMPAT) pre.parse_argv = config->parse_argv;
    if (!config->parse_argv) return Py_PreInitialize(&pre);
    if (bytes) return Py_PreInitializeFromBytesArgs(&pre, argc, (char **)bytes);
    if (wide) return Py_PreInitializeFromArgs(&pre, argc, (wchar_t **)wide);
    return Py_PreInitialize(&pre);
}

PyStatus PyConfig_SetString(PyConfig *config, wchar_t **field, const wchar_t *text)
{
    PyStatus status = config_preinitialize(config, 0, NULL, NULL);
    return PyStatus_Exception(status) ? status : set_string(field, text);
}

PyStatus config_decode(wchar_t **out, const char *text, const char *what)
{
    size_t length;
    *out = Py_DecodeLocale(text, &length);
    if (*out) return PyStatus_Ok();
    return length == (size_t)-2 ? PyStatus_Error(what) : PyStatus_NoMemory();
}

PyStatus PyConfig_SetBytesString(PyConfig *config, wchar_t **field, const char *text)
{
    PyStatus status = config_preinitialize(config, 0, NULL, NULL);
    if (PyStatus_Exception(status)) return status;
    wchar_t *wide = NULL;
    if (text) {
        status = config_decode(&wide, text, "cannot decode string");
        if (PyStatus_Exception(status)) return status;
    }
    PyMem_RawFree(*field);
    *field = wide;
    return PyStatus_Ok();
}

PyStatus PyConfig_SetWideStringList(PyConfig *config, PyWideStringList *list, Py_ssize_t length, wchar_t **items)
{
    PyStatus status = config_preinitialize(config, 0, NULL, NULL);
    if (PyStatus_Exception(status)) return status;
    return wide_list_copy(list, &(PyWideStringList){ .length = length, .items = items });
}

PyStatus PyConfig_SetArgv(PyConfig *config, Py_ssize_t argc, wchar_t *const *argv)
{
    PyStatus status = config_preinitialize(config, argc, NULL, argv);
    if (PyStatus_Exception(status)) return status;
    return wide_list_copy(&config->argv, &(PyWideStringList){ .length = argc, .items = (wchar_t **)argv });
}

PyStatus PyConfig_SetBytesArgv(PyConfig *config, Py_ssize_t argc, char *const *argv)
{
    PyStatus status = config_preinitialize(config, argc, argv, NULL);
    if (PyStatus_Exception(status)) return status;
    PyWideStringList list = { 0 };
    if (argc && !(list.items = PyMem_RawCalloc((size_t)argc, sizeof *list.items))) return PyStatus_NoMemory();
    for (; list.length < argc; list.length++) {
        status = config_decode(&list.items[list.length], argv[list.length], "cannot decode command line arguments");
        if (PyStatus_Exception(status)) {
            wide_list_clear(&list);
            return status;
        }
    }
    wide_list_clear(&config->argv);
    config->argv = list;
    return PyStatus_Ok();
}

void Py_GetArgcArgv(int *argc, wchar_t ***argv)
{
    *argc = (int)P->orig_argv.length;
    *argv = P->orig_argv.items;
}
