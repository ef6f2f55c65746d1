/* What import*.c and _imp.c share. */
#ifndef TAIPAN_IMPORT_PRIVATE_H
#define TAIPAN_IMPORT_PRIVATE_H

#include "runtime/state.h"
#include "runtime/runtime_private.h"

enum { IMPORT_MAGIC = 3571 | '\r' << 16 | '\n' << 24 };

/* import.c */
struct _inittab *inittab_find(PyObject *name);
PyObject *import_add_module(PyObject *name);
int import_ensure_initialized(PyObject *module, PyObject *name);
int import_remember_by_index(PyObject *module, PyModuleDef *def);
bool import_lock_held(void);
PyStatus import_init_bootstrap(PyThreadState *ts);
PyStatus import_init_external(PyThreadState *ts);

/* import_frozen.c: the section with the code of frozen modules, offsets from its start. */
#define FROZEN_ROOM 786432
typedef struct FrozenBlob {
    char name[32];
    uint32_t count, unused;                    /* 0: not filled yet */
    struct { uint32_t offset, size; } module[];
} FrozenBlob;
extern const FrozenBlob frozen_blob __attribute__((visibility("hidden")));

/* freeze.c: main() of a program in which nothing is frozen. */
int freeze_main(int argc, char **argv);

typedef struct FrozenModule {
    const char *name, *origin;             /* origin: the module it is an alias of, or NULL: itself */
    const unsigned char *code;
    size_t size;
    bool is_package, is_test;
} FrozenModule;
/* FROZEN_*: 0 found. */
enum { FROZEN_OKAY, FROZEN_BAD_NAME, FROZEN_NOT_FOUND, FROZEN_DISABLED, FROZEN_EXCLUDED, FROZEN_INVALID };
int frozen_find(PyObject *name, FrozenModule *found);
void frozen_set_error(int status, PyObject *name);
PyObject *frozen_names(void);
PyObject *frozen_code(const FrozenModule *frozen, PyObject *name);    /* new reference */

/* import_dynamic.c */
PyObject *import_create_builtin(PyObject *spec, PyObject *name);
PyObject *import_create_dynamic(PyObject *spec, PyObject *name, PyObject *path);
int import_exec_builtin_or_dynamic(PyObject *module);
extern const char *const import_suffixes[];

/* import_extensions.c: single-phase modules that were initialised. */
typedef PyObject *(*InitFunction)(void);
typedef struct Extension {
    PyModuleDef *def;
    InitFunction init;                     /* m_size >= 0: run it again; else NULL */
    PyObject *copy;                        /* m_size -1: the module's dict when init returned; else NULL */
} Extension;
/* 1 found, with a new reference to copy; 2: the main interpreter has it, but cannot share it; 0 unknown, -1 MemoryError. */
int extension_find(PyObject *path, PyObject *name, Extension *found);
/* The record becomes the current interpreter's. 0 / -1. */
int extension_remember(PyObject *path, PyObject *name, PyModuleDef *def, InitFunction init, PyObject *dict);
/* 1: there was one, of *def; 0: none; -1. */
int extension_forget(PyObject *path, PyObject *name, PyModuleDef **def);

/* modules/_imp.c: the module, made without the import system. */
PyObject *import_bootstrap_imp(PyThreadState *ts);

/* The next import initialises the single-phase module anew. 0 or -1. */
int import_forget_extension(PyObject *name, PyObject *path);

#endif
