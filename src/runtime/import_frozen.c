/* Frozen modules: marshalled code of the library's start-up modules, put into the program when it is built (freeze.c).
 * PyImport_FrozenModules of an embedder comes first. */
#include "runtime/state.h"
#include "runtime/runtime_private.h"
#include "runtime/import_private.h"

#include <marshal.h>
#include <string.h>

const struct _frozen *PyImport_FrozenModules = NULL;

/* Zero but for its name until it is filled in the file. A constant of the compiler's would be folded: hence in assembly. */
#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)
__asm__(".section .taipan_frozen,\"a\",%progbits\n.balign 4096\n.globl frozen_blob\n.hidden frozen_blob\nfrozen_blob:\n"
        ".ascii \"taipan: frozen modules\"\n.balign 32\n.skip " TEXT(FROZEN_ROOM) " - 32\n.previous\n");

static const struct { const char *name, *origin; bool is_package, is_test; } frozen_table[] = {
#define FROZEN(name, file, origin, is_package, is_test) { name, origin, is_package, is_test },
#include "runtime/frozen_modules.def"
};

enum { FROZEN_COUNT = sizeof frozen_table / sizeof *frozen_table, FROZEN_BOOTSTRAP = 3 };

static bool frozen_allowed(size_t index)
{
    const RuntimeState *r = &interp_get()->runtime;
    if (index < FROZEN_BOOTSTRAP) return true;
    if (r->import.override_frozen_modules > 0) return true;
    if (r->import.override_frozen_modules < 0) return false;
    return r->config.use_frozen_modules != 0;
}

int frozen_find(PyObject *name, FrozenModule *found)
{
    memset(found, 0, sizeof *found);
    if (!name || name == Py_None) return FROZEN_BAD_NAME;
    const char *text = PyUnicode_AsUTF8(name);
    if (!text) {
        PyErr_Clear();
        return FROZEN_BAD_NAME;
    }
    if (PyImport_FrozenModules) {
        for (const struct _frozen *f = PyImport_FrozenModules; f->name; f++) {
            if (strcmp(f->name, text)) continue;
            *found = (FrozenModule){ f->name, f->name, f->code, (size_t)f->size, f->is_package != 0, false };
            if (!f->code) return FROZEN_EXCLUDED;
            return f->size == 0 ? FROZEN_INVALID : FROZEN_OKAY;
        }
    }
    for (size_t i = 0; i < FROZEN_COUNT; i++) {
        if (strcmp(frozen_table[i].name, text)) continue;
        const char *origin = frozen_table[i].origin;
        *found = (FrozenModule){ frozen_table[i].name, origin ? origin[0] ? origin : NULL : text,
                                 (const unsigned char *)&frozen_blob + frozen_blob.module[i].offset, frozen_blob.module[i].size,
                                 frozen_table[i].is_package, frozen_table[i].is_test };
        if (!origin) found->origin = frozen_table[i].name;
        return frozen_allowed(i) ? FROZEN_OKAY : FROZEN_DISABLED;
    }
    return FROZEN_NOT_FOUND;
}

void frozen_set_error(int status, PyObject *name)
{
    const char *message = NULL;
    switch (status) {
        case FROZEN_BAD_NAME: case FROZEN_NOT_FOUND: message = "No such frozen object named %R"; break;
        case FROZEN_DISABLED: message = "Frozen modules are disabled and the frozen object named %R is not essential"; break;
        case FROZEN_EXCLUDED: message = "Excluded frozen object named %R"; break;
        case FROZEN_INVALID: message = "Frozen object named %R is invalid"; break;
        default: return;
    }
    PyObject *text = PyUnicode_FromFormat(message, name);
    if (!text) {
        PyErr_Clear();
        text = Py_NewRef(Py_None);
    }
    PyErr_SetImportError(text, name, NULL);
    Py_DECREF(text);
}

PyObject *frozen_names(void)
{
    PyObject *list = PyList_New(0);
    for (size_t i = 0; list && i < FROZEN_COUNT; i++) {
        PyObject *name = frozen_allowed(i) ? PyUnicode_FromString(frozen_table[i].name) : NULL;
        if (name && PyList_Append(list, name) < 0) Py_CLEAR(list);
        Py_XDECREF(name);
    }
    return list;
}

PyObject *frozen_code(const FrozenModule *frozen, PyObject *name)
{
    PyObject *code = PyMarshal_ReadObjectFromString((const char *)frozen->code, (Py_ssize_t)frozen->size);
    if (!code) {
        PyErr_Clear();
        frozen_set_error(FROZEN_INVALID, name);
        return NULL;
    }
    if (!PyCode_Check(code)) {
        PyErr_Format(PyExc_TypeError, "Object named %R is not a code object", name);
        Py_CLEAR(code);
    }
    return code;
}

/* 1 imported, 0 not there, -1 exception. Used for importlib._bootstrap itself, which no import system loads. */
int PyImport_ImportFrozenModuleObject(PyObject *name)
{
    FrozenModule frozen;
    int status = frozen_find(name, &frozen), result = -1;
    if (status == FROZEN_NOT_FOUND || status == FROZEN_DISABLED || status == FROZEN_BAD_NAME) return 0;
    if (status != FROZEN_OKAY) {
        frozen_set_error(status, name);
        return -1;
    }
    PyObject *module = NULL, *dict = NULL, *value = NULL, *code = frozen_code(&frozen, name);
    if (!code) return -1;
    if (!(module = import_add_module(name))) goto done;
    dict = PyModule_GetDict(module);
    if (frozen.is_package) {
        if (!(value = PyList_New(0)) || PyDict_SetItem(dict, STR(__path__), value) < 0) goto done;
        Py_CLEAR(value);
    }
    PyObject *builtins = interp_get()->runtime.builtins;
    if (builtins && PyDict_SetItem(dict, STR(__builtins__), builtins) < 0) goto done;
    if (!(value = PyEval_EvalCode(code, dict, dict))) goto done;
    Py_CLEAR(value);
    value = frozen.origin ? PyUnicode_FromString(frozen.origin) : Py_NewRef(Py_None);
    if (!value || PyDict_SetItemString(dict, "__origname__", value) < 0) goto done;
    result = 1;
done:
    Py_XDECREF(value);
    Py_XDECREF(module);
    Py_DECREF(code);
    return result;
}

int PyImport_ImportFrozenModule(const char *name)
{
    PyObject *key = PyUnicode_FromString(name);
    if (!key) return -1;
    int status = PyImport_ImportFrozenModuleObject(key);
    Py_DECREF(key);
    return status;
}
