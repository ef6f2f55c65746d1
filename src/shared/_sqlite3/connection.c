/* Connection: opening and closing, transactions, attributes, statements without a cursor of one's own.
 *
 * Closing takes the database away from the connection first and then gives up its share of it (Database in sqlite.h), so
 * that callbacks, other threads and statements that live on never see a freed handle. */
#include "sqlite.h"

static const char not_initialized[] = "Base Connection.__init__ not called.";

/* ---- checks -------------------------------------------------------------------------------------------------------------- */

COLD static void raise_programming(Connection *cx, const char *text)
{
    Sqlite *state = cx->state ? cx->state : sqlite_state_of(OBJECT(cx));
    if (state) sqlite_raise(state, PROGRAMMING_ERROR, text);
}

int connection_check_open(Connection *cx)
{
    if (LIKELY(cx->initialized && cx->database)) return 1;
    raise_programming(cx, cx->initialized ? "Cannot operate on a closed database." : not_initialized);
    return 0;
}

int connection_check_thread(Connection *cx)
{
    if (LIKELY(!cx->initialized || !cx->check_same_thread || PyThread_get_thread_ident() == cx->thread)) return 1;
    PyErr_Format(cx->state->exceptions[PROGRAMMING_ERROR],
                 "SQLite objects created in a thread can only be used in that same thread. "
                 "The object was created in thread id %lu and this is thread id %lu.", cx->thread, PyThread_get_thread_ident());
    return 0;
}

int connection_check(Connection *cx) { return connection_check_thread(cx) && connection_check_open(cx); }

/* ---- closing ------------------------------------------------------------------------------------------------------------- */

void database_drop(Database *database)
{
    if (--database->holders) return;
    PyObject *exc = PyErr_GetRaisedException();
    UNLOCKED(sqlite3_close_v2(database->db));
    PyErr_SetRaisedException(exc);
    PyMem_Free(database);
}

/* A statement of the module's own. -1 with an exception. */
int connection_exec(Connection *cx, const char *sql)
{
    Database *database = database_hold(cx->database);
    sqlite3_stmt *st;
    int rc;
    UNLOCKED({
        rc = sqlite3_prepare_v2(database->db, sql, -1, &st, NULL);
        if (rc == SQLITE_OK) {
            (void)sqlite3_step(st);
            rc = sqlite3_finalize(st);
        }
    });
    if (rc != SQLITE_OK) sqlite_raise_after_callbacks(cx->state, database->db);
    database_drop(database);
    return PyErr_Occurred() ? -1 : 0;
}

/* In manual transactions the open one is rolled back. -1 with an exception, but closed. */
static int close_database(Connection *cx)
{
    if (!cx->database || cx->closing) return 0;
    int r = 0;
    cx->closing = true;
    if (cx->autocommit == AUTOCOMMIT_DISABLED && !sqlite3_get_autocommit(cx->database->db)) r = connection_exec(cx, "ROLLBACK");
    Database *database = cx->database;
    PyObject *exc = PyErr_GetRaisedException();
    cx->database = NULL;
    cx->closing = false;
    hooks_silence(cx, database->db);
    database_drop(database);
    PyErr_SetRaisedException(exc);
    return r;
}

BUILTIN_NOARGS(connection, close, "($self, /)", "Close the database. What was not committed is lost.")
{
    Connection *cx = CONNECTION(self);
    if (!connection_check_thread(cx)) return NULL;
    if (!cx->initialized) {
        raise_programming(cx, not_initialized);
        return NULL;
    }
    blob_close_all(cx);
    Py_CLEAR(cx->cache);
    if (close_database(cx) < 0) return NULL;
    Py_RETURN_NONE;
}

/* Who forgot to close it is told. When the interpreter ends, nothing calls back into Python. */
static void connection_finalize(PyObject *self)
{
    Connection *cx = CONNECTION(self);
    if (!cx->database) return;
    bool ending = Py_IsFinalizing();
    PyObject *exc = PyErr_GetRaisedException();
    if (ending) hooks_silence(cx, cx->database->db);
    if (PyErr_ResourceWarning(self, 1, "unclosed database in %R", self) < 0) {
        if (PyErr_ExceptionMatches(PyExc_Warning)) PyErr_WriteUnraisable(self);
        else PyErr_Clear();
    }
    blob_close_all(cx);
    Py_CLEAR(cx->cache);
    if (close_database(cx) < 0) {
        if (ending) PyErr_Clear();
        else PyErr_WriteUnraisable(self);
    }
    PyErr_SetRaisedException(exc);
}

/* Where a subclass's __del__ hid the finalizer. Nobody may take hold of the object any more, so nobody is told. */
static void close_quietly(Connection *cx)
{
    PyObject *exc = PyErr_GetRaisedException();
    hooks_silence(cx, cx->database->db);
    if (close_database(cx) < 0) PyErr_Clear();
    PyErr_SetRaisedException(exc);
}

static int connection_traverse(PyObject *self, visitproc visit, void *arg)
{
    Connection *cx = CONNECTION(self);
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(cx->cache);
    Py_VISIT(cx->row_factory);
    Py_VISIT(cx->text_factory);
    for (Hook *h = cx->hooks; h; h = h->next) Py_VISIT(h->callable);
    for (int i = 0; i < EXCEPTION_COUNT; i++) Py_VISIT(cx->exceptions[i]);
    return 0;
}

static int connection_clear(PyObject *self)
{
    Connection *cx = CONNECTION(self);
    Py_CLEAR(cx->cache);
    Py_CLEAR(cx->row_factory);
    Py_CLEAR(cx->text_factory);
    for (Hook *h = cx->hooks; h; h = cx->hooks) {       /* what is taken away may run code that changes the list */
        cx->hooks = h->next;
        if (h->next) h->next->link = &cx->hooks;
        h->link = NULL;
        h->next = NULL;
        Py_CLEAR(h->callable);
    }
    return 0;
}

static void connection_dealloc(PyObject *self)
{
    if (PyObject_CallFinalizerFromDealloc(self) < 0) return;
    PyTypeObject *type = Py_TYPE(self);
    Connection *cx = CONNECTION(self);
    PyObject_GC_UnTrack(self);
    if (cx->database) close_quietly(cx);
    connection_clear(self);
    for (int i = 0; i < EXCEPTION_COUNT; i++) Py_CLEAR(cx->exceptions[i]);
    type->tp_free(self);
    Py_DECREF(type);
}

/* ---- opening ------------------------------------------------------------------------------------------------------------- */

static const char *const levels[] = { "", "DEFERRED", "IMMEDIATE", "EXCLUSIVE" };
static const char *const begins[] = { "BEGIN ", "BEGIN DEFERRED", "BEGIN IMMEDIATE", "BEGIN EXCLUSIVE" };

/* One of the levels, or NULL for None. -1 with an exception. */
static int level_of(PyObject *value, const char **level)
{
    *level = NULL;
    if (value == Py_None) return 0;
    if (!PyUnicode_Check(value)) {
        PyErr_SetString(PyExc_TypeError, "isolation_level must be str or None");
        return -1;
    }
    Py_ssize_t n;
    const char *text = PyUnicode_AsUTF8AndSize(value, &n);
    if (!text) return -1;
    if (strlen(text) != (size_t)n) {
        PyErr_SetString(PyExc_ValueError, "embedded null character");
        return -1;
    }
    for (size_t i = 0; i < ARRAY_LENGTH(levels); i++) {
        if (sqlite3_stricmp(text, levels[i]) == 0) {
            *level = levels[i];
            return 0;
        }
    }
    PyErr_SetString(PyExc_ValueError, "isolation_level string must be '', 'DEFERRED', 'IMMEDIATE', or 'EXCLUSIVE'");
    return -1;
}

static int autocommit_of(PyObject *value, Autocommit *mode)
{
    if (value == Py_True) *mode = AUTOCOMMIT_ENABLED;
    else if (value == Py_False) *mode = AUTOCOMMIT_DISABLED;
    else {
        int overflow = 0;
        if (!PyLong_Check(value) || PyLong_AsLongAndOverflow(value, &overflow) != AUTOCOMMIT_LEGACY || overflow) {
            PyErr_SetString(PyExc_ValueError, "autocommit must be True, False, or sqlite3.LEGACY_TRANSACTION_CONTROL");
            return -1;
        }
        *mode = AUTOCOMMIT_LEGACY;
    }
    return 0;
}

static Database *open_database(Sqlite *state, const char *path, bool uri, double timeout)
{
    Database *database = PyMem_Malloc(sizeof *database);
    sqlite3 *db = NULL;
    int rc;
    if (!database) return (Database *)PyErr_NoMemory();
    UNLOCKED({
        rc = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | (uri ? SQLITE_OPEN_URI : 0), NULL);
        if (rc == SQLITE_OK) (void)sqlite3_busy_timeout(db, (int)(timeout * 1000));
    });
    database->db = db;
    database->holders = 1;
    if (rc == SQLITE_OK) return database;
    if (db) sqlite_raise_library(state, db);
    else PyErr_NoMemory();
    database_drop(database);
    return NULL;
}

SIGNATURE(connection_signature, "Connection", KEYWORDS,
          "(database, timeout=5.0, detect_types=0, isolation_level='', check_same_thread=True, factory=ConnectionType, "
          "cached_statements=128, uri=False, *, autocommit=sqlite3.LEGACY_TRANSACTION_CONTROL)");

typedef struct Wishes {                       /* arguments of connect(), looked at */
    double timeout;
    int detect_types, cached, check_same_thread, uri;
    const char *level;
    Autocommit autocommit;
} Wishes;

static int look_at_wishes(PyObject **arg, Wishes *w)
{
    *w = (Wishes){ .timeout = 5, .check_same_thread = 1, .cached = 128, .level = "", .autocommit = AUTOCOMMIT_LEGACY };
    if (arg[1] && (w->timeout = PyFloat_AsDouble(arg[1])) == -1 && PyErr_Occurred()) return -1;
    if (arg[2] && (w->detect_types = PyLong_AsInt(arg[2])) == -1 && PyErr_Occurred()) return -1;
    if (arg[3] && level_of(arg[3], &w->level) < 0) return -1;
    if (arg[4] && (w->check_same_thread = PyObject_IsTrue(arg[4])) < 0) return -1;
    if (arg[6] && (w->cached = PyLong_AsInt(arg[6])) == -1 && PyErr_Occurred()) return -1;
    if (arg[7] && (w->uri = PyObject_IsTrue(arg[7])) < 0) return -1;
    if (arg[8] && autocommit_of(arg[8], &w->autocommit) < 0) return -1;
    if (!(w->timeout * 1000 < INT_MAX && w->timeout * 1000 > INT_MIN)) w->timeout = w->timeout > 0 ? INT_MAX / 1000 : 0;
    return 0;
}

/* What an earlier __init__ made is given back. */
static int start_anew(Connection *cx)
{
    if (!cx->initialized) return 0;
    cx->initialized = false;
    blob_close_all(cx);
    Py_CLEAR(cx->cache);
    Py_CLEAR(cx->row_factory);
    Py_CLEAR(cx->text_factory);
    return close_database(cx);
}

static PyObject *make_cache(Connection *cx, int size)
{
    PyObject *decorator = PyObject_CallFunction(cx->state->lru_cache, "i", size);
    PyObject *cache = decorator ? PyObject_CallOneArg(decorator, OBJECT(cx)) : NULL;
    Py_XDECREF(decorator);
    return cache;
}

static int connection_open(Connection *cx, PyObject *path, const Wishes *w)
{
    Database *database = open_database(cx->state, PyBytes_AS_STRING(path), w->uri, w->timeout);
    PyObject *cache = database ? make_cache(cx, w->cached) : NULL;
    if (!cache) {
        if (database) database_drop(database);
        return -1;
    }
    if (cx->database && close_database(cx) < 0) PyErr_WriteUnraisable(OBJECT(cx));      /* another __init__ came in between */
    cx->database = database;
    Py_XSETREF(cx->cache, cache);
    cx->isolation_level = w->level;
    cx->autocommit = w->autocommit;
    cx->detect_types = w->detect_types;
    cx->check_same_thread = w->check_same_thread;
    cx->thread = PyThread_get_thread_ident();
    Py_XSETREF(cx->row_factory, Py_NewRef(Py_None));
    Py_XSETREF(cx->text_factory, Py_NewRef(&PyUnicode_Type));
    for (int i = 0; i < EXCEPTION_COUNT; i++) Py_XSETREF(cx->exceptions[i], Py_NewRef(cx->state->exceptions[i]));
    return 0;
}

static int connection_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    Connection *cx = CONNECTION(self);
    PyObject *arg[9], *path;
    Py_ssize_t nargs = PyTuple_GET_SIZE(args);
    Wishes w;
    if (nargs > 1 && nargs <= 8 &&
        sqlite_warn("Passing more than 1 positional argument to _sqlite3.Connection() is deprecated. Parameters 'timeout', 'detect_types', "
                    "'isolation_level', 'check_same_thread', 'factory', 'cached_statements' and 'uri' will become keyword-only parameters in Python 3.15.") < 0)
        return -1;
    if (args_bind_tuple(&connection_signature, args, kwargs, arg) < 0 || look_at_wishes(arg, &w) < 0) return -1;
    if (!cx->state && !(cx->state = sqlite_state_of(self))) return -1;
    if (PySys_Audit("sqlite3.connect", "O", arg[0]) < 0 || !PyUnicode_FSConverter(arg[0], &path)) return -1;
    int r = start_anew(cx) < 0 ? -1 : connection_open(cx, path, &w);
    Py_DECREF(path);
    if (r < 0 || PySys_Audit("sqlite3.connect/handle", "O", self) < 0) return -1;
    cx->initialized = true;
    if (cx->autocommit == AUTOCOMMIT_DISABLED && cx->database) return connection_exec(cx, "BEGIN");
    return 0;
}

/* ---- transactions -------------------------------------------------------------------------------------------------------- */

static bool in_transaction(Connection *cx) { return !sqlite3_get_autocommit(cx->database->db); }

/* COMMIT or ROLLBACK. */
static int end_transaction(Connection *cx, const char *how)
{
    if (!connection_check(cx)) return -1;
    if (cx->autocommit == AUTOCOMMIT_LEGACY) return in_transaction(cx) ? connection_exec(cx, how) : 0;
    if (cx->autocommit == AUTOCOMMIT_ENABLED) return 0;
    if (connection_exec(cx, how) < 0) return -1;
    return connection_check_open(cx) ? connection_exec(cx, "BEGIN") : -1;       /* a callback may have closed it */
}

BUILTIN_NOARGS(connection, commit, "($self, /)", "Commit the open transaction, if there is one.")
{
    if (end_transaction(CONNECTION(self), "COMMIT") < 0) return NULL;
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(connection, rollback, "($self, /)", "Roll the open transaction back, if there is one.")
{
    if (end_transaction(CONNECTION(self), "ROLLBACK") < 0) return NULL;
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(connection, __enter__, "($self, /)", "Return the connection, as a context manager does.")
{
    return connection_check_open(CONNECTION(self)) ? Py_NewRef(self) : NULL;
}

/* A commit that fails is followed by a rollback, so that the database is not left locked. */
BUILTIN(connection, __exit__, POSITIONAL, "($self, type, value, traceback, /)", "Commit, or roll back when there was an exception.")
{
    Connection *cx = CONNECTION(self);
    bool commit = arg[0] == Py_None && arg[1] == Py_None && arg[2] == Py_None;
    if (end_transaction(cx, commit ? "COMMIT" : "ROLLBACK") == 0) Py_RETURN_FALSE;
    if (!commit) return NULL;
    PyObject *first = PyErr_GetRaisedException();
    if (end_transaction(cx, "ROLLBACK") < 0) {
        PyObject *second = PyErr_GetRaisedException();
        if (second != first) PyException_SetContext(second, first);     /* steals */
        PyErr_SetRaisedException(second);
        return NULL;
    }
    PyErr_SetRaisedException(first);
    return NULL;
}

int connection_begin(Connection *cx)
{
    for (size_t i = 0; i < ARRAY_LENGTH(levels); i++) if (cx->isolation_level == levels[i]) return connection_exec(cx, begins[i]);
    return 0;
}

/* ---- attributes ---------------------------------------------------------------------------------------------------------- */

static PyObject *get_isolation_level(PyObject *self, void *closure)
{
    if (!connection_check_open(CONNECTION(self))) return NULL;
    const char *level = CONNECTION(self)->isolation_level;
    return level ? PyUnicode_FromString(level) : Py_NewRef(Py_None);
}

static int cannot_delete(void)
{
    PyErr_SetString(PyExc_AttributeError, "cannot delete attribute");
    return -1;
}

/* None ends the open transaction. */
static int set_isolation_level(PyObject *self, PyObject *value, void *closure)
{
    Connection *cx = CONNECTION(self);
    const char *level;
    if (!value) return cannot_delete();
    if (level_of(value, &level) < 0) return -1;
    cx->isolation_level = level;
    return level ? 0 : end_transaction(cx, "COMMIT");
}

static PyObject *get_autocommit(PyObject *self, void *closure)
{
    Connection *cx = CONNECTION(self);
    if (!connection_check(cx)) return NULL;
    return cx->autocommit == AUTOCOMMIT_LEGACY ? PyLong_FromLong(AUTOCOMMIT_LEGACY) : PyBool_FromLong(cx->autocommit == AUTOCOMMIT_ENABLED);
}

static int set_autocommit(PyObject *self, PyObject *value, void *closure)
{
    Connection *cx = CONNECTION(self);
    Autocommit mode;
    if (!value) return cannot_delete();
    if (!connection_check(cx) || autocommit_of(value, &mode) < 0) return -1;
    if (mode == AUTOCOMMIT_DISABLED && !in_transaction(cx) && connection_exec(cx, "BEGIN") < 0) return -1;
    if (mode == AUTOCOMMIT_ENABLED && in_transaction(cx) && connection_exec(cx, "COMMIT") < 0) return -1;
    cx->autocommit = mode;
    return 0;
}

static PyObject *get_total_changes(PyObject *self, void *closure)
{
    if (!connection_check_open(CONNECTION(self))) return NULL;
    return PyLong_FromLong(sqlite3_total_changes(CONNECTION(self)->database->db));
}

static PyObject *get_in_transaction(PyObject *self, void *closure)
{
    if (!connection_check_open(CONNECTION(self))) return NULL;
    return PyBool_FromLong(in_transaction(CONNECTION(self)));
}

static PyObject *get_text_signature(PyObject *self, void *closure) { return PyUnicode_FromString("(sql, /)"); }

static PyGetSetDef connection_attributes[] = {
    { "isolation_level", get_isolation_level, set_isolation_level, NULL, NULL },
    { "total_changes", get_total_changes, NULL, NULL, NULL },
    { "in_transaction", get_in_transaction, NULL, NULL, NULL },
    { "autocommit", get_autocommit, set_autocommit, NULL, NULL },
    { "__text_signature__", get_text_signature, NULL, NULL, NULL }, { 0 }
};

static PyMemberDef connection_members[] = {
#define E(kind, name) { #name, _Py_T_OBJECT, offsetof(Connection, exceptions[kind]), Py_READONLY, NULL },
    EACH_EXCEPTION(E)
#undef E
    { "row_factory", _Py_T_OBJECT, offsetof(Connection, row_factory), 0, NULL },
    { "text_factory", _Py_T_OBJECT, offsetof(Connection, text_factory), 0, NULL }, { 0 }
};

/* ---- statements ---------------------------------------------------------------------------------------------------------- */

/* Calling a connection makes a statement; the cache is made of this. */
static PyObject *connection_call(PyObject *self, PyObject *args, PyObject *kwargs)
{
    Connection *cx = CONNECTION(self);
    PyObject *sql;
    if (!connection_check(cx)) return NULL;
    if (kwargs && PyDict_GET_SIZE(kwargs)) return PyErr_Format(PyExc_TypeError, "%s() takes no keyword arguments", "sqlite3.Connection");
    if (!PyArg_ParseTuple(args, "U", &sql)) return NULL;
    return (PyObject *)statement_new(cx, sql);
}

BUILTIN(connection, cursor, KEYWORDS, "($self, /, factory=<unrepresentable>)", "Return a new cursor.")
{
    Connection *cx = CONNECTION(self);
    if (!connection_check(cx)) return NULL;
    PyObject *cursor = PyObject_CallOneArg(arg[0] ? arg[0] : (PyObject *)cx->state->cursor, self);
    if (!cursor) return NULL;
    if (!PyObject_TypeCheck(cursor, cx->state->cursor)) {
        PyErr_Format(PyExc_TypeError, "factory must return a cursor, not %.100s", Py_TYPE(cursor)->tp_name);
        Py_DECREF(cursor);
        return NULL;
    }
    if (cx->row_factory && cx->row_factory != Py_None) Py_XSETREF(CURSOR(cursor)->row_factory, Py_NewRef(cx->row_factory));
    return cursor;
}

/* A cursor of the plain type, used once. */
static PyObject *with_cursor(PyObject *self, PyObject *sql, PyObject *parameters, bool many)
{
    if (!connection_check(CONNECTION(self))) return NULL;
    PyObject *cursor = cursor_new(CONNECTION(self));
    if (!cursor) return NULL;
    PyObject *result = cursor_run(CURSOR(cursor), sql, parameters, many);
    Py_DECREF(cursor);
    return result;
}

BUILTIN(connection, execute, POSITIONAL, "($self, sql, parameters=<unrepresentable>, /)", "Execute a statement with a new cursor.")
{
    return with_cursor(self, arg[0], arg[1], false);
}

BUILTIN(connection, executemany, POSITIONAL, "($self, sql, parameters, /)", "Execute a statement for each of several sets of parameters.")
{
    return with_cursor(self, arg[0], arg[1], true);
}

BUILTIN_O(connection, executescript, "($self, sql_script, /)", "Execute several statements with a new cursor.")
{
    if (!connection_check(CONNECTION(self))) return NULL;
    PyObject *cursor = cursor_new(CONNECTION(self));
    if (!cursor) return NULL;
    PyObject *result = cursor_run_script(CURSOR(cursor), arg);
    Py_DECREF(cursor);
    return result;
}

/* ---- the type ------------------------------------------------------------------------------------------------------------ */

static const PyMethodDef connection_basics[] = {
    METHOD(connection, close), METHOD(connection, commit), METHOD(connection, cursor), METHOD(connection, __enter__), METHOD(connection, executemany),
    METHOD(connection, executescript), METHOD(connection, execute), METHOD(connection, __exit__), METHOD(connection, rollback), { 0 }
};

static size_t count_methods(const PyMethodDef *table)
{
    size_t n = 0;
    while (table[n].ml_name) n++;
    return n;
}

/* One table of the three, which lives as long as the module. */
static PyMethodDef *join_methods(void)
{
    static const PyMethodDef *const tables[] = { connection_basics, connection_features, connection_callbacks };
    size_t n = 1;
    for (size_t i = 0; i < ARRAY_LENGTH(tables); i++) n += count_methods(tables[i]);
    PyMethodDef *all = PyMem_Calloc(n, sizeof *all), *to = all;
    if (!all) return (PyMethodDef *)PyErr_NoMemory();
    for (size_t i = 0; i < ARRAY_LENGTH(tables); i++) {
        size_t count = count_methods(tables[i]);
        memcpy(to, tables[i], count * sizeof *to);
        to += count;
    }
    return all;
}

int connection_add_type(PyObject *module, Sqlite *state)
{
    if (!(state->connection_methods = join_methods())) return -1;
    PyType_Slot slots[] = {
        { Py_tp_dealloc, connection_dealloc }, { Py_tp_doc, (void *)"A connection to an SQLite database." },
        { Py_tp_methods, state->connection_methods }, { Py_tp_members, connection_members }, { Py_tp_getset, connection_attributes },
        { Py_tp_init, connection_init }, { Py_tp_call, connection_call }, { Py_tp_traverse, connection_traverse },
        { Py_tp_clear, connection_clear }, { Py_tp_finalize, connection_finalize }, { 0, NULL }
    };
    PyType_Spec spec = {
        "sqlite3.Connection", sizeof(Connection), 0,
        Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE, slots
    };
    return (state->connection = sqlite_add_type(module, &spec, true)) ? 0 : -1;
}
