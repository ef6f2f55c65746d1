/* _sqlite3: databases of the SQLite library as Python objects (DB-API 2.0; the package sqlite3 is its face).
 *
 *     Connection --> Database --> sqlite3            closed when the last holder lets go: a call that is under way in a
 *        |  ^                                        callback or in another thread keeps the library's handle alive
 *        |  cursor's connection
 *        +--> cache (functools.lru_cache of the connection itself) --> Statement --> sqlite3_stmt
 *        +--> hooks: what the library calls back
 *        +--> blobs: open ones, which close with the connection
 *
 * Who waits for whom: the library guards each database with a recursive mutex, and callbacks take the GIL while it is held.
 * So nobody may wait for that mutex with the GIL held. Work that takes time runs UNLOCKED(); what only reads memory
 * (columns of a row, binding of values, the last error) runs between database_lock() and database_unlock(), which costs
 * much less than letting the GIL go for each call.
 *
 *   module.c       the module: state, exceptions, adapters and converters      cursor.c    Cursor
 *   constants.c    constants, and names of error codes                         row.c       Row
 *   connection.c   Connection: opening, closing, transactions                  blob.c      Blob
 *   features.c     its backups, serialized images, limits, extensions          callbacks.c functions, collations, hooks
 *   statement.c    Statement, binding of parameters
 */
#ifndef TAIPAN_SHARED_SQLITE_H
#define TAIPAN_SHARED_SQLITE_H

#include "capi/args.h"

#include <limits.h>
#include <sqlite3.h>
#include <string.h>

/* A column: the name, and after which it is derived. */
#define EACH_EXCEPTION(E)                                                                                               \
    E(WARNING, Warning) E(ERROR, Error) E(INTERFACE_ERROR, InterfaceError) E(DATABASE_ERROR, DatabaseError)             \
    E(DATA_ERROR, DataError) E(OPERATIONAL_ERROR, OperationalError) E(INTEGRITY_ERROR, IntegrityError)                  \
    E(INTERNAL_ERROR, InternalError) E(PROGRAMMING_ERROR, ProgrammingError) E(NOT_SUPPORTED_ERROR, NotSupportedError)

typedef enum Kind {
#define E(kind, name) kind,
    EACH_EXCEPTION(E)
#undef E
    EXCEPTION_COUNT
} Kind;

#define EACH_STRING(S) S(__adapt__) S(__conform__) S(finalize) S(inverse) S(step) S(upper) S(value) S(sqlite_errorcode) S(sqlite_errorname)

typedef struct Sqlite {                       /* state of the module */
    PyTypeObject *connection, *cursor, *row, *blob, *statement, *protocol;
    PyObject *adapters, *converters;          /* {(type, protocol): callable}, {NAME: callable} */
    PyObject *lru_cache;
    PyObject *exceptions[EXCEPTION_COUNT];
#define S(name) PyObject *name;
    EACH_STRING(S)
#undef S
    bool base_types_adapted;                  /* int, float, str or bytearray has an adapter */
    bool callback_tracebacks;
    PyMethodDef *connection_methods;          /* the three tables of Connection's methods in one */
} Sqlite;

/* The library's handle. Holders are counted under the GIL. */
typedef struct Database { sqlite3 *db; unsigned holders; } Database;

/* What the library is given as the argument of a callback. Its holders are the library (functions, collations) or the
 * connection (authorizer, progress, trace), and calls under way. They are in the connection's list as long as both live, also
 * when it is closed and a statement keeps the library's handle: so the collector sees their callables. */
typedef struct Hook {
    PyObject *callable;                       /* NULL: taken away by the collector */
    Sqlite *state;                            /* whoever calls the library has a type of the module, so this lives */
    unsigned holders;
    struct Hook **link, *next;                /* link: what points to this one, NULL when in no list */
} Hook;

typedef struct Blob Blob;

typedef enum Autocommit { AUTOCOMMIT_LEGACY = -1, AUTOCOMMIT_DISABLED, AUTOCOMMIT_ENABLED } Autocommit;

enum { PARSE_DECLTYPES = 1, PARSE_COLNAMES = 2 };

typedef struct Connection {
    PyObject_HEAD
    Sqlite *state;                            /* NULL before __init__ */
    Database *database;                       /* NULL: closed */
    PyObject *cache;
    PyObject *row_factory, *text_factory;     /* NULL when deleted: as None and str */
    const char *isolation_level;              /* one of four constants; NULL: no transactions are begun */
    Autocommit autocommit;
    int detect_types;
    unsigned long thread;
    bool check_same_thread, initialized, closing;
    Hook *hooks, *trace, *progress, *authorizer;
    Blob *blobs;
    PyObject *exceptions[EXCEPTION_COUNT];
} Connection;

typedef struct Statement {
    PyObject_HEAD
    sqlite3_stmt *st;                         /* NULL: nothing but white space and comments */
    bool is_dml;                              /* INSERT, UPDATE, DELETE or REPLACE */
    bool taken;                               /* by a cursor; else it is at its beginning */
} Statement;

typedef struct Cursor {
    PyObject_HEAD
    Connection *connection;
    Statement *statement;                     /* whose rows are to come; NULL: none */
    PyObject *description, *converters, *lastrowid, *row_factory;     /* converters: a list, an item for each column */
    PyObject *weakrefs;
    long rowcount;
    int arraysize;
    bool closed, initialized;
    bool locked;                              /* a method is at work with the statement: no other may touch it */
} Cursor;

struct Blob {
    PyObject_HEAD
    Connection *connection;
    sqlite3_blob *blob;                       /* NULL: closed */
    int offset;
    unsigned busy;                            /* calls under way in other threads; closing waits for them */
    bool close_later;
    Blob **link, *next;                       /* in the connection's list of open ones */
    PyObject *weakrefs;
};

#define CONNECTION(o) ((Connection *)(o))
#define CURSOR(o) ((Cursor *)(o))
#define STATEMENT(o) ((Statement *)(o))
#define BLOB(o) ((Blob *)(o))

#define UNLOCKED(action)                                                                                                \
    do {                                                                                                                \
        PyThreadState *ts_ = PyEval_SaveThread();                                                                       \
        action;                                                                                                         \
        PyEval_RestoreThread(ts_);                                                                                      \
    } while (0)

static inline void database_lock(sqlite3 *db)
{
    sqlite3_mutex *mutex = sqlite3_db_mutex(db);
    if (UNLIKELY(sqlite3_mutex_try(mutex) != SQLITE_OK)) UNLOCKED(sqlite3_mutex_enter(mutex));
}
static inline void database_unlock(sqlite3 *db) { sqlite3_mutex_leave(sqlite3_db_mutex(db)); }

static inline Database *database_hold(Database *database) { return database->holders++, database; }
void database_drop(Database *database);       /* the last holder closes it; an exception that is set stays */

extern PyModuleDef sqlite_module;

/* module.c */
Sqlite *sqlite_state_of(PyObject *self);                           /* of an instance of one of the module's types */
PyTypeObject *sqlite_add_type(PyObject *module, PyType_Spec *spec, bool public);      /* NEW */
void *sqlite_raise(Sqlite *state, Kind kind, const char *text);    /* NULL */
/* Raises what the library reports. Nothing when it reports no error. */
void sqlite_raise_library(Sqlite *state, sqlite3 *db);
/* The same after a call that may have run callbacks: the exception that one of them left is told or forgotten. */
void sqlite_raise_after_callbacks(Sqlite *state, sqlite3 *db);
PyObject *sqlite_adapt_object(Sqlite *state, PyObject *object, PyObject *protocol, PyObject *otherwise);       /* NEW */
int sqlite_number(PyObject *number, sqlite3_int64 *value);          /* -1 with OverflowError */
const char *sqlite_text(PyObject *text, const char *function, const char *which);     /* an argument; NULL with an exception */
const char *sqlite_name(PyObject *text, const char *function);     /* the keyword "name", NULL standing for "main" */
int sqlite_warn(const char *text);                                 /* DeprecationWarning */

/* constants.c */
int sqlite_add_constants(PyObject *module);
const char *sqlite_error_name(int code);

/* connection.c */
int connection_check_open(Connection *cx);                         /* 0 with ProgrammingError, else 1 */
int connection_check_thread(Connection *cx);
int connection_check(Connection *cx);                              /* thread, then open */
int connection_exec(Connection *cx, const char *sql);              /* a statement of our own; -1 with an exception */
int connection_add_type(PyObject *module, Sqlite *state);
int connection_begin(Connection *cx);                              /* as the isolation level says */
extern const PyMethodDef connection_features[], connection_callbacks[];       /* ending with an empty entry */

/* statement.c */
Statement *statement_new(Connection *cx, PyObject *sql);
void statement_reset(Statement *s);
int statement_bind(Sqlite *state, Statement *s, PyObject *parameters);
int statement_add_type(PyObject *module, Sqlite *state);

/* cursor.c */
PyObject *cursor_new(Connection *cx);                              /* of the plain type */
PyObject *cursor_run(Cursor *cu, PyObject *sql, PyObject *parameters, bool many);     /* NEW reference to the cursor */
PyObject *cursor_run_script(Cursor *cu, PyObject *script);
int cursor_add_type(PyObject *module, Sqlite *state);

/* row.c */
int row_add_type(PyObject *module, Sqlite *state);

/* blob.c */
PyObject *blob_open(Connection *cx, const char *table, const char *column, sqlite3_int64 row, bool readonly, const char *name);
void blob_close_all(Connection *cx);
int blob_add_type(PyObject *module, Sqlite *state);

/* callbacks.c */
void hook_drop(Hook *hook);
void hooks_silence(Connection *cx, sqlite3 *db);                   /* the connection's own three are taken away */

#endif
