/* What runtime/ keeps in Process, Interpreter and Thread, and what it offers the rest: start-up, GIL, import, signals. */
#ifndef TAIPAN_RUNTIME_RUNTIME_H
#define TAIPAN_RUNTIME_RUNTIME_H

#include "taipan.h"
#include <pthread.h>
#include <signal.h>

typedef struct Thread Thread;

/* ---- GIL (gil.c) ------------------------------------------------------------------------------------------------ */

/* One a GIL; several interpreters may share it. A waiter that was refused for `interval` asks the holder to drop it; the
 * holder then waits until someone else has had it (fair hand-over). */
typedef struct Gil {
    pthread_mutex_t mutex;
    pthread_cond_t released, switched;
    PyThreadState *holder;                  /* the last one, also after release; guarded by mutex, compared only */
    unsigned long switches;
    unsigned long interval;                 /* microseconds */
    int locked;
    bool ready;
} Gil;

/* Calls queued by Py_AddPendingCall: a ring. */
enum { PENDING_CALLS_MAX = 300, PENDING_MAIN_MAX = 32 };
typedef struct PendingCalls {
    pthread_mutex_t mutex;
    int first, count, limit;
    bool busy;
    struct { int (*function)(void *); void *argument; } calls[PENDING_CALLS_MAX];
} PendingCalls;

/* ---- Process ---------------------------------------------------------------------------------------------------- */

typedef struct AuditHook { struct AuditHook *next; Py_AuditHookFunction function; void *data; } AuditHook;

enum { PROCESS_SIGNALS = 65, PROCESS_EXIT_FUNCTIONS = 32, PARKING_BITS = 6 };

typedef struct RuntimeProcess {
    pthread_mutex_t lists;                  /* guards interpreters and every interpreter's list of threads */
    PyInterpreterState *interpreters;       /* linked through runtime.next, main last */
    PyInterpreterState *main_interpreter;
    int64_t next_interpreter_id;
    PyThreadState *main_thread_state;
    unsigned long main_thread;              /* pthread id */
    Gil gil;                                /* of the main interpreter and those that share it */
    PendingCalls main_pending;              /* run by the main thread only: signals' friends */

    pthread_mutex_t shared;                 /* guards the queues and channels */
    struct SharedQueue *queues;             /* modules/_interpqueues.c; newest first */
    struct SharedChannel *channels;         /* modules/_interpchannels.c; newest first */
    int64_t next_queue_id, next_channel_id;

    bool syslog_open;                       /* the C library's one connection: modules/syslog.c */
    bool ready;                             /* process_init() has run */
    bool preinitialized, core_initialized, initialized;
    int fatal_errors;                       /* how often a fatal error has begun to be reported */
    uint32_t parking[1 << PARKING_BITS];    /* where threads that wait for a PyMutex sleep */
    PyMutex reader;                         /* PyOS_Readline: the terminal and the library are one */
    PyThreadState *finalizing;              /* the thread that runs Py_FinalizeEx */
    PyPreConfig preconfig;
    PyWideStringList orig_argv;
    bool locale_coerced, unhandled_interrupt;
    wchar_t *joined_path, *set_program_name, *set_home, *set_path;

    AuditHook *audit_hooks;
    Py_OpenCodeHookFunction open_code_hook;
    void *open_code_data;
    void (*exit_functions[PROCESS_EXIT_FUNCTIONS])(void);
    int exit_function_count;

    struct { volatile sig_atomic_t tripped; PyObject *handler; } signals[PROCESS_SIGNALS];
    volatile sig_atomic_t signal_tripped;
    PyObject *default_handler, *ignore_handler;
    struct { int fd; bool warn_on_full; } wakeup;
    void *faulthandler;                     /* modules/faulthandler.c; NULL until used */

    struct _inittab *inittab_copy;          /* what PyImport_Extend/AppendInittab allocated */
    pthread_mutex_t extensions_lock;
    struct ExtensionRecord *extensions;     /* single-phase modules of all interpreters: import_extensions.c */
    PyInterpreterState *ended;              /* heaps with blocks that still live, linked through runtime.next: interp_adopt_ended */
    bool stdout_fallback;                   /* no _io: print goes to the emergency streams */
} RuntimeProcess;

/* ---- Interpreter ------------------------------------------------------------------------------------------------ */

typedef struct AtExitEntry { PyObject *function, *args, *kwargs; } AtExitEntry;
typedef struct AtExitCall { struct AtExitCall *next; atexit_datacallbackfunc function; void *data; } AtExitCall;

typedef struct ImportState {
    pthread_mutex_t mutex;
    pthread_cond_t released;
    PyThreadState *lock_owner;              /* compared only */
    unsigned long lock_thread;
    int lock_level;
    int dlopen_flags;
    int override_frozen_modules, override_multi_interp_check;
    PyObject *import_function;              /* builtins.__import__ as we made it */
    PyObject *lock_unlock_module, *find_and_load, *handle_fromlist;
    PyObject *modules_by_index;             /* list, PyModuleDef.m_base.m_index */
    struct { int level; bool header; int64_t accumulated; } timing;   /* -X importtime */
} ImportState;

typedef struct WarningsState {
    PyObject *filters, *once_registry, *default_action, *context;
    long filters_version;
} WarningsState;

typedef struct RuntimeState {
    PyInterpreterState *next;
    int64_t id;
    int whence;                             /* WHENCE_* of crossinterp.h: who made it */
    PyThreadState *threads;                 /* linked through PyThreadState.next; newest first */
    uint64_t next_thread_id;
    Gil *gil, own_gil;
    PendingCalls pending;
    PyObject *sysdict, *modules, *builtins, *importlib;   /* dicts but importlib */
    PyObject *sysdict_copy, *builtins_copy;
    PyObject *dict;                         /* PyInterpreterState_GetDict */
    PyConfig config;
    int recursion_limit;                    /* what new threads start with */
    unsigned long feature_flags;            /* FEATURE_* */
    bool core_ready, ready, running_main;
    PyThreadState *finalizing;
    unsigned long finalizing_thread;
    bool finalized;
    size_t thread_stack_size;               /* 0: the system's default */
    long threads_running;                   /* _thread.start_new_thread's */
    ImportState import;
    WarningsState warnings;
    AtExitEntry *atexit_entries;
    Py_ssize_t atexit_count, atexit_size;
    AtExitCall *atexit_calls;
    PyObject *audit_hooks;                  /* list of Python hooks, or NULL */
    PyObject *stdlib_dir;
    struct ThreadHandleRecord *thread_handles;   /* joinable threads, for _shutdown */
    _PyFrameEvalFunction eval_frame;
    int interactive_count;                  /* statements typed at the prompt */
    int64_t id_refcount;
    int require_idref;
    PyObject *(*get_signal_default)(void);
    PyObject *fork_before, *fork_parent, *fork_child;    /* lists of os.register_at_fork, or NULL */
    PyObject *extra;                        /* dict of small things that components cache by name */
} RuntimeState;

enum {
    FEATURE_OBMALLOC = 1 << 5, FEATURE_MULTI_INTERP = 1 << 8, FEATURE_THREADS = 1 << 10,
    FEATURE_DAEMON_THREADS = 1 << 11, FEATURE_FORK = 1 << 15, FEATURE_EXEC = 1 << 16,
};

/* ---- Thread ----------------------------------------------------------------------------------------------------- */

typedef struct ThreadRuntime {
    bool own_memory;                        /* from malloc rather than the first thread's static place */
    bool daemon_of_shutdown;
    unsigned long switches_seen;
    bool importing_builtin;
    const char *package_context;            /* single-phase init: full name of the module being loaded */
    PyObject *on_delete_lock;
} ThreadRuntime;

/* ---- what neighbours may call ------------------------------------------------------------------------------------ */

/* Heaps that ended interpreters left go to the main interpreter. Does nothing unless its GIL is held. */
void interp_adopt_ended(void);

/* May not return when the interpreter is going away. */
void gil_take(PyThreadState *ts);
int pending_add(PyInterpreterState *interp, int (*function)(void *), void *argument);
int pending_add_to(int64_t interp_id, int (*function)(void *), void *argument);   /* -1 also when it is gone */
int pending_calls_run(PyThreadState *ts);
/* Runs Python signal handlers when this is the main thread of the main interpreter. 0, or -1 with an exception. */
int signals_run(PyThreadState *ts);

/* After an interrupted system call: 0 to try again, -1 with the exception of a signal handler. Use as
 * do { Py_BEGIN_ALLOW_THREADS ... Py_END_ALLOW_THREADS } while (r < 0 && errno == EINTR && !(raised = PyErr_CheckSignals())); */

/* sys.<name>: borrowed, NULL without exception when absent. */
PyObject *sys_get(PyObject *name);
int sys_set(PyObject *name, PyObject *value);

/* The warning about a coroutine that nobody awaited (modules/_warnings.c). */
void warn_unawaited_coroutine(PyObject *coroutine);
/* os.register_at_fork. Any may be NULL. 0 or -1. */
int runtime_register_at_fork(PyObject *before, PyObject *in_child, PyObject *in_parent);

const PyConfig *interp_config(PyInterpreterState *interp);

#endif
