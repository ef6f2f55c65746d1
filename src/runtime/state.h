/* All mutable state of Taipan: Process, Interpreter, Thread.
 *
 * Nothing else in the program may be written to after start, static types' reference counts and digested signatures aside.
 * Each component defines one struct with its part of the state, in its own header, embedded here.
 *
 *     Process (_PyRuntime)  what is one by nature: interned names, small integers, the list of interpreters, signal flags
 *     Interpreter           struct _is: heap, collector, types' tables, modules, import, warnings, GIL ...
 *     Thread                begins with the public PyThreadState, whose fields are the only copy of what they hold
 */
#ifndef TAIPAN_RUNTIME_STATE_H
#define TAIPAN_RUNTIME_STATE_H

#include "taipan.h"
#include "memory/memory.h"
#include "runtime/runtime.h"
#include "objects/objects.h"
#include "eval/eval.h"

#include <pthread.h>

/* ---- Process --------------------------------------------------------------------------------------------------- */

enum { SMALL_INT_MIN = -5, SMALL_INT_MAX = 256, SMALL_INT_COUNT = SMALL_INT_MAX - SMALL_INT_MIN + 1 };

/* Every constant string that C code names: STR(append) is a borrowed reference to an immortal interned str. */
typedef struct StaticNames {
#define NAME(x) struct { PyASCIIObject head; char text[sizeof #x]; } str_##x;
#include "runtime/names.def"
} StaticNames;

typedef struct StaticChar { PyASCIIObject head; char text[2]; } StaticChar;               /* U+0000 to U+007F */
typedef struct StaticLatin1 { PyCompactUnicodeObject head; char text[2]; } StaticLatin1;  /* U+0080 to U+00FF */

typedef struct Process {
    StaticNames names;
    PyLongObject small_ints[SMALL_INT_COUNT];
    StaticChar ascii[128];
    StaticLatin1 latin1[128];
    StaticChar empty_str;
    struct { PyBytesObject head; char zero[8]; } bytes[256];     /* one-byte strings */
    PyBytesObject empty_bytes;
    PyTupleObject empty_tuple;
    MemoryProcess memory;                                        /* memory/: replaced allocators */
    UnicodeProcess unicode;
    TypesProcess types;
    RuntimeProcess runtime;                                      /* interpreters, signals, configuration: runtime/ */
} Process;

PyAPI_DATA(Process) _PyRuntime;

#define STR(name) ((PyObject *)&_PyRuntime.names.str_##name.head)
#define EMPTY_STR ((PyObject *)&_PyRuntime.empty_str.head)
#define EMPTY_TUPLE ((PyObject *)&_PyRuntime.empty_tuple)
#define EMPTY_BYTES ((PyObject *)&_PyRuntime.empty_bytes)
#define SMALL_INT(value) ((PyObject *)&_PyRuntime.small_ints[(value) - SMALL_INT_MIN])

/* ---- Interpreter ----------------------------------------------------------------------------------------------- */

typedef struct _is Interpreter;
struct _is {
    Heap heap;                       /* memory/: hottest first */
    Collector gc;
    WeakrefTable weakrefs;
    ObjectState objects;             /* objects/: type tables, interned strings, ... */
    EvalState eval;                  /* eval/: GIL, pending calls, monitoring */
    RuntimeState runtime;            /* runtime/: sys, modules, import, warnings, configuration, threads */
};

/* ---- Thread ---------------------------------------------------------------------------------------------------- */

typedef struct Thread {
    PyThreadState ts;
    Heap *heap;                      /* of the interpreter; what the inline allocation path reads */
    uintptr_t stack_low, stack_high; /* bounds of the C stack, for recursion checks */
    ThreadRuntime runtime;           /* runtime/: what waiting and signals need */
    struct _PyInterpreterFrame *event_frame;   /* eval/: whose event a tool hears just now */
    struct _stack_chunk *spare_chunk;          /* eval/: of the stack of frames, left but not given back */
} Thread;

extern _Thread_local Thread *thread_current __attribute__((tls_model("initial-exec")));

static inline Thread *thread_get(void) { return thread_current; }

/* For functions that call themselves through objects (an iterator over an iterator over ...) and that it would cost too much to count:
 * 0, or -1 with RecursionError near the end of the stack. */
enum { STACK_SHORT = 128 * 1024 };
int stack_check_slow(void);
static ALWAYS_INLINE int stack_check(void)
{
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);
    return UNLIKELY(here - thread_current->stack_low < STACK_SHORT) ? stack_check_slow() : 0;
}
static inline Interpreter *thread_interp(Thread *t) { return t->ts.interp; }
static inline Interpreter *interp_get(void) { return thread_current->ts.interp; }

#endif
