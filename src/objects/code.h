/* Code objects: making them, and walking their tables. The layout is that of <cpython/code.h>. */
#ifndef TAIPAN_OBJECTS_CODE_H
#define TAIPAN_OBJECTS_CODE_H

#include "taipan.h"

/* One byte of co_localspluskinds. */
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

/* Walks co_linetable: for (code_lines_begin(&r, co); code_lines_next(&r);) r is a range of byte offsets with its line, -1 none. */
void code_lines_begin(PyCodeAddressRange *range, PyCodeObject *co);
bool code_lines_next(PyCodeAddressRange *range);

/* The exception handler that covers a code unit: 1 and target (unit), depth, lasti flag; 0 when there is none. */
int code_find_handler(PyCodeObject *co, int unit, int *target, int *depth, int *push_lasti);

/* The canonical opcode at a code unit, without specialisation or instrumentation. */
int code_base_opcode(PyCodeObject *co, int unit);

/* Specialises afresh: caches and opcodes become canonical, then ready to adapt. */
void code_quicken(PyCodeObject *co);

/* Code of an object that __code__ accepts? (checked PyCode_Check) -- positional parameter count of local variables etc. */
static inline int code_total_args(const PyCodeObject *co)
{
    return co->co_argcount + co->co_kwonlyargcount + !!(co->co_flags & CO_VARARGS) + !!(co->co_flags & CO_VARKEYWORDS);
}

#endif
