/* What runtime/ keeps in Process, Interpreter and Thread, and what it offers the rest: start-up, GIL, import, signals. */
#ifndef TAIPAN_RUNTIME_RUNTIME_H
#define TAIPAN_RUNTIME_RUNTIME_H

#include "taipan.h"

typedef struct RuntimeProcess {
    PyInterpreterState *interpreters;       /* linked list, guarded by a lock of runtime/ */
    PyInterpreterState *main_interpreter;
} RuntimeProcess;

typedef struct RuntimeState {
    PyInterpreterState *next;
    int64_t id;
    PyThreadState *threads;                 /* linked through PyThreadState.next */
    PyObject *sysdict, *modules, *builtins, *importlib;
} RuntimeState;

typedef struct ThreadRuntime { int unused; } ThreadRuntime;

#endif
