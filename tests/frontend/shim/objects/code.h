/* Stands in for objects/code.h when the compiler is built into another Python: compile_ext.c makes code objects with its constructor. */
#ifndef TAIPAN_SHIM_CODE_H
#define TAIPAN_SHIM_CODE_H
#include "taipan.h"
enum { CO_FAST_HIDDEN = 0x10, CO_FAST_LOCAL = 0x20, CO_FAST_CELL = 0x40, CO_FAST_FREE = 0x80 };

/* Everything a code object is made of; all references borrowed. */
typedef struct CodeParts {
    PyObject *filename, *name, *qualname;                 /* str */
    int flags;
    PyObject *code;                                       /* bytes: canonical instructions with their caches */
    int firstlineno;
    PyObject *linetable;                                  /* bytes */
    PyObject *consts, *names;                             /* tuples */
    PyObject *localsplusnames, *localspluskinds;          /* tuple of str, bytes */
    int argcount, posonlyargcount, kwonlyargcount;        /* argcount counts the positional-only ones too */
    int stacksize;
    PyObject *exceptiontable;                             /* bytes */
} CodeParts;

/* NEW code object, or NULL with ValueError, SystemError, MemoryError. Interns names and constants that look like names. Checks
 * types and sizes, not the instructions. */
PyObject *code_new(const CodeParts *parts);
#endif
