/* Interpreters seen from one another: by number, their settings as namespaces, data that can cross, and visits.
 *
 * Nothing that belongs to one interpreter is touched while another's GIL is held: what crosses is C memory. */
#ifndef TAIPAN_RUNTIME_CROSSINTERP_H
#define TAIPAN_RUNTIME_CROSSINTERP_H

#include "runtime/state.h"

enum { WHENCE_UNKNOWN, WHENCE_RUNTIME, WHENCE_LEGACY_CAPI, WHENCE_CAPI, WHENCE_XI, WHENCE_STDLIB };

/* The current interpreter's exception classes. BORROWED, or NULL with an exception. */
PyObject *crossinterp_error(void);                       /* interpreters.InterpreterError */
PyObject *crossinterp_not_found_error(void);
PyObject *crossinterp_not_shareable_error(void);

/* ---- by number ------------------------------------------------------------------------------------------------- */

/* A non-negative int that fits; -1 with an exception. */
int64_t crossinterp_id(PyObject *id);
/* NULL with InterpreterNotFoundError. */
Interpreter *crossinterp_lookup_object(PyObject *id);
/* The last reference ends an interpreter that requires them. */
void crossinterp_incref(Interpreter *interp);
void crossinterp_decref(Interpreter *interp);

/* ---- settings ---------------------------------------------------------------------------------------------------- */

/* A named configuration with the items of overrides (a dict, or NULL). 0, or -1 with ValueError, TypeError. */
int crossinterp_config_named(PyInterpreterConfig *config, const char *name);
int crossinterp_config_update(PyInterpreterConfig *config, PyObject *dict, bool all_required);
/* From None (the default), a name, or a namespace with all items. */
int crossinterp_config_from_object(PyInterpreterConfig *config, PyObject *object, const char *default_name);
PyObject *crossinterp_config_namespace(const PyInterpreterConfig *config);          /* NEW */
void crossinterp_config_of(Interpreter *interp, PyInterpreterConfig *config);

/* A new interpreter without thread states; the caller's thread stays where it is. NULL with InterpreterError. */
Interpreter *crossinterp_new(const PyInterpreterConfig *config, int whence);
/* Ends one that runs nothing. 0, or -1 with an exception. */
int crossinterp_end(Interpreter *interp);

/* ---- data ---------------------------------------------------------------------------------------------------------- */

typedef struct SharedItem SharedItem;

bool crossinterp_is_shareable(PyObject *o);
/* A dict of str to shareable values as C memory; *items is NULL for an empty one. 0, or -1 with an exception. */
int crossinterp_pack(PyObject *dict, SharedItem **items);
int crossinterp_unpack(const SharedItem *items, PyObject *dict);                     /* in the other interpreter */
void crossinterp_free(SharedItem *items);

/* One value as C memory. NEW; any thread may free it, with or without a GIL of the interpreters concerned. */
typedef struct SharedValue SharedValue;
SharedValue *crossinterp_value_new(PyObject *o);                                     /* NULL with an exception */
PyObject *crossinterp_value_object(const SharedValue *value);                        /* NEW, in the other interpreter */
void crossinterp_value_free(SharedValue *value);

/* Instances of a class that cross as a number and a detail: how they are taken apart and made again. */
typedef struct ShareableClass {
    int (*pack)(PyObject *o, int64_t *id, int *detail);                              /* 0, or -1 with an exception */
    PyObject *(*unpack)(int64_t id, int detail);                                     /* NEW */
    void (*release)(int64_t id, int detail);                                         /* undoes pack; may be NULL; no Python code */
} ShareableClass;

/* Exact instances of type are shareable in this interpreter from now on. 0, or -1 with an exception. */
int crossinterp_register(PyTypeObject *type, const ShareableClass *class);

/* The class of what memoryviews of other interpreters' buffers look at. BORROWED. */
PyObject *crossinterp_buffer_view_type(void);

/* Guards the queues and channels of Process. Whoever holds it waits for nothing and runs no Python code. */
void shared_lock(void);
void shared_unlock(void);

/* ---- visits --------------------------------------------------------------------------------------------------------- */

/* An exception as text, in C memory; all NULL: there was none. */
typedef struct ExceptionText { char *name, *qualname, *module, *message, *display; } ExceptionText;

void exception_text_capture(ExceptionText *text, PyObject *exception);
PyObject *exception_text_namespace(const ExceptionText *text);                       /* NEW */
void exception_text_clear(ExceptionText *text);

typedef struct Visit { PyThreadState *own, *theirs; Interpreter *interp; bool main; } Visit;

/* Makes a thread of interp the current one; with main it is the one that runs __main__, of which there is one at a time.
 * 0, or -1 with InterpreterError. */
int visit_begin(Visit *visit, Interpreter *interp, bool main);
void visit_end(Visit *visit);

#endif
