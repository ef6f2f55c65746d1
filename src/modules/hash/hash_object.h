/* Hash objects: the Python side that MD5, SHA-1, SHA-2 and SHA-3 share. An algorithm brings a HashKind. */
#ifndef TAIPAN_MODULES_HASH_OBJECT_H
#define TAIPAN_MODULES_HASH_OBJECT_H

#include "hash_support.h"

#include <string.h>

enum { HASH_STATE_MAX = 512 };

typedef struct HashKind {
    const char *name;                         /* as the `name` attribute has it */
    Py_ssize_t digest_size, block_size;       /* digest_size 0: extendable output (SHAKE) */
    size_t state_size;
    void (*start)(void *state);
    void (*update)(void *state, const unsigned char *data, size_t n);
    void (*finish)(void *state, unsigned char *digest, size_t n);   /* the state is a copy and may be destroyed */
    int capacity_bits, rate_bits, suffix;     /* SHA-3's extra attributes, 0 for others */
} HashKind;

typedef struct HashModule {                   /* state of a module: one type a kind */
    PyTypeObject *types[8];
    const HashKind *kinds[8];
} HashModule;

/* Adds a type for each kind to the module; spec_names are "_sha2.SHA256Type" and so on. 0 or -1. */
int hash_add_types(PyObject *module, const HashKind *const *kinds, const char *const *spec_names, size_t count);
/* A constructor: kind number `index` with data (or NULL). NEW. */
PyObject *hash_construct(PyObject *module, size_t index, PyObject *data);
/* What is to be hashed at once, given as data or under its old name: 0, or -1 when both are. */
int hash_data_argument(PyObject **data, PyObject *string);
int hash_module_traverse(PyObject *module, visitproc visit, void *arg);
int hash_module_clear(PyObject *module);
void hash_module_free(void *module);

#define HASH_FUNCTION(module, function, index)                                                                          \
    BUILTIN(module, function, KEYWORDS, "($module, /, data=b'', *, usedforsecurity=True, string=None)",                 \
            "Return a new " #function " hash object; optionally initialized with a string.")                            \
    {                                                                                                                   \
        PyObject *data = arg[0];                                                                                        \
        return hash_data_argument(&data, arg[2]) < 0 ? NULL : hash_construct(self, index, data);                        \
    }

#define HASH_MODULE(module_name, init, doc, methods, exec)                                                              \
    static PyModuleDef_Slot module_slots[] = {                                                                          \
        { Py_mod_exec, exec }, { Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED }, { 0 }            \
    };                                                                                                                  \
    static struct PyModuleDef definition = {                                                                            \
        PyModuleDef_HEAD_INIT, module_name, doc, sizeof(HashModule), methods, module_slots, hash_module_traverse,       \
        hash_module_clear, hash_module_free,                                                                            \
    };                                                                                                                  \
    PyMODINIT_FUNC init(void) { return PyModuleDef_Init(&definition); }

#endif
