/* Cursor: runs statements and gives out their rows.
 *
 * A cursor is one row ahead: the statement stands on the row that the next fetch returns. While a method is at work with
 * the statement the cursor is locked, since iterators, adapters, converters and SQL functions can call back. The statement
 * is asked for its database, never the connection, which may have been closed or opened anew meanwhile. */
#include "sqlite.h"

/* ---- checks -------------------------------------------------------------------------------------------------------------- */

COLD NOINLINE static bool refuse(Cursor *cu, const char *text)
{
    Sqlite *state = cu->connection ? cu->connection->state : sqlite_state_of(OBJECT(cu));
    if (state) sqlite_raise(state, PROGRAMMING_ERROR, text);
    return false;
}

static bool check_unlocked(Cursor *cu) { return LIKELY(!cu->locked) || refuse(cu, "Recursive use of cursors not allowed."); }

static bool cursor_check(Cursor *cu)
{
    if (UNLIKELY(!cu->initialized)) return refuse(cu, "Base Cursor.__init__ not called.");
    if (UNLIKELY(cu->closed)) return refuse(cu, "Cannot operate on a closed cursor.");
    return connection_check(cu->connection) && check_unlocked(cu);
}

/* ---- life ---------------------------------------------------------------------------------------------------------------- */

/* Gives the statement, which is at its beginning, back. */
static void return_statement(Cursor *cu)
{
    Statement *s = cu->statement;
    cu->statement = NULL;
    s->taken = false;
    Py_DECREF(s);
}

static void drop_statement(Cursor *cu)
{
    if (!cu->statement) return;
    PyObject *exc = PyErr_GetRaisedException();
    statement_reset(cu->statement);
    return_statement(cu);
    PyErr_SetRaisedException(exc);
}

static int cursor_set_up(Cursor *cu, Connection *cx)
{
    if (!check_unlocked(cu)) return -1;
    drop_statement(cu);
    Py_XSETREF(cu->connection, (Connection *)Py_NewRef(cx));
    Py_XSETREF(cu->description, Py_NewRef(Py_None));
    Py_XSETREF(cu->lastrowid, Py_NewRef(Py_None));
    Py_XSETREF(cu->row_factory, Py_NewRef(Py_None));
    Py_CLEAR(cu->converters);
    cu->arraysize = 1;
    cu->closed = false;
    cu->rowcount = -1;
    if (!connection_check_thread(cx)) return -1;
    cu->initialized = true;
    return 0;
}

static int cursor_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    PyObject *cx;
    Sqlite *state = sqlite_state_of(self);
    if (!state) return -1;
    if (kwargs && PyDict_GET_SIZE(kwargs) && Py_TYPE(self)->tp_init == cursor_init) {
        PyErr_SetString(PyExc_TypeError, "Cursor() takes no keyword arguments");
        return -1;
    }
    if (!PyArg_UnpackTuple(args, "Cursor", 1, 1, &cx)) return -1;
    if (!PyObject_TypeCheck(cx, state->connection)) {
        PyErr_Format(PyExc_TypeError, "Cursor() argument 1 must be sqlite3.Connection, not %.50s", cx == Py_None ? "None" : Py_TYPE(cx)->tp_name);
        return -1;
    }
    return cursor_set_up(CURSOR(self), CONNECTION(cx));
}

PyObject *cursor_new(Connection *cx)
{
    PyTypeObject *type = cx->state->cursor;
    PyObject *cursor = type->tp_alloc(type, 0);
    if (!cursor) return NULL;
    if (cursor_set_up(CURSOR(cursor), cx) < 0) Py_CLEAR(cursor);
    else if (cx->row_factory && cx->row_factory != Py_None) Py_SETREF(CURSOR(cursor)->row_factory, Py_NewRef(cx->row_factory));
    return cursor;
}

static int cursor_traverse(PyObject *self, visitproc visit, void *arg)
{
    Cursor *cu = CURSOR(self);
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(cu->connection);
    Py_VISIT(cu->statement);
    Py_VISIT(cu->description);
    Py_VISIT(cu->converters);
    Py_VISIT(cu->lastrowid);
    Py_VISIT(cu->row_factory);
    return 0;
}

static int cursor_clear(PyObject *self)
{
    Cursor *cu = CURSOR(self);
    drop_statement(cu);
    cu->initialized = false;
    Py_CLEAR(cu->connection);
    Py_CLEAR(cu->description);
    Py_CLEAR(cu->converters);
    Py_CLEAR(cu->lastrowid);
    Py_CLEAR(cu->row_factory);
    return 0;
}

static void cursor_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    if (CURSOR(self)->weakrefs) PyObject_ClearWeakRefs(self);
    cursor_clear(self);
    type->tp_free(self);
    Py_DECREF(type);
}

BUILTIN_NOARGS(cursor, close, "($self, /)", "Close the cursor.")
{
    Cursor *cu = CURSOR(self);
    if (!check_unlocked(cu)) return NULL;
    if (!cu->connection) {
        refuse(cu, "Base Cursor.__init__ not called.");
        return NULL;
    }
    if (!connection_check(cu->connection)) return NULL;
    drop_statement(cu);
    cu->closed = true;
    Py_RETURN_NONE;
}

/* ---- columns ------------------------------------------------------------------------------------------------------------- */

/* What stays as long as the statement is not run anew. */
static const char *column_name(sqlite3_stmt *st, int i)
{
    sqlite3 *db = sqlite3_db_handle(st);
    database_lock(db);
    const char *name = sqlite3_column_name(st, i);
    database_unlock(db);
    return name;
}

static const char *column_type(sqlite3_stmt *st, int i)
{
    sqlite3 *db = sqlite3_db_handle(st);
    database_lock(db);
    const char *name = sqlite3_column_decltype(st, i);
    database_unlock(db);
    return name;
}

/* The converter for a type's name. NEW, None when there is none. */
static PyObject *converter_named(Sqlite *state, const char *name, Py_ssize_t n)
{
    PyObject *key = PyUnicode_FromStringAndSize(name, n);
    PyObject *upper = key ? PyObject_CallMethodNoArgs(key, state->upper) : NULL, *converter = NULL;
    int r = upper ? PyDict_GetItemRef(state->converters, upper, &converter) : -1;
    Py_XDECREF(upper);
    Py_XDECREF(key);
    return r == 0 ? Py_NewRef(Py_None) : converter;
}

/* By the column's name, as in "birthday [date]", or else by its declared type, as in "number(10)". NEW. */
static PyObject *converter_of_column(Connection *cx, sqlite3_stmt *st, int i)
{
    if (cx->detect_types & PARSE_COLNAMES) {
        const char *name = column_name(st, i), *start = NULL, *p;
        if (!name) return PyErr_NoMemory();
        for (p = name; *p && !(*p == ']' && start); p++) if (*p == '[') start = p + 1;
        PyObject *converter = *p ? converter_named(cx->state, start, p - start) : Py_NewRef(Py_None);
        if (converter != Py_None) return converter;
    }
    const char *type = cx->detect_types & PARSE_DECLTYPES ? column_type(st, i) : NULL;
    return type ? converter_named(cx->state, type, (Py_ssize_t)strcspn(type, " (")) : Py_NewRef(Py_None);
}

static int find_converters(Cursor *cu, sqlite3_stmt *st)
{
    if (!cu->connection->detect_types) return 0;
    PyObject *converters = PyList_New(0);
    for (int i = 0, n = sqlite3_column_count(st); converters && i < n; i++) {
        PyObject *converter = converter_of_column(cu->connection, st, i);
        if (!converter || PyList_Append(converters, converter) < 0) Py_CLEAR(converters);
        Py_XDECREF(converter);
    }
    if (!converters && PyErr_ExceptionMatches(PyExc_MemoryError)) return -1;
    if (!converters) {
        PyObject *cause = PyErr_GetRaisedException();
        sqlite_raise(cu->connection->state, OPERATIONAL_ERROR, "Error while building row_cast_map");
        PyObject *error = PyErr_GetRaisedException();
        PyException_SetCause(error, Py_NewRef(cause));
        PyException_SetContext(error, cause);
        PyErr_SetRaisedException(error);
        return -1;
    }
    Py_XSETREF(cu->converters, converters);
    return 0;
}

static PyObject *describe_column(Connection *cx, const char *name)
{
    size_t n = strlen(name);
    if (cx->detect_types & PARSE_COLNAMES) {
        n = strcspn(name, "[");
        if (name[n] && n > 0 && name[n - 1] == ' ') n--;
    }
    PyObject *text = PyUnicode_FromStringAndSize(name, (Py_ssize_t)n);
    PyObject *column = text ? PyTuple_Pack(7, text, Py_None, Py_None, Py_None, Py_None, Py_None, Py_None) : NULL;
    Py_XDECREF(text);
    return column;
}

static int describe(Cursor *cu, sqlite3_stmt *st, int columns)
{
    PyObject *description = PyTuple_New(columns);
    for (int i = 0; description && i < columns; i++) {
        const char *name = column_name(st, i);
        PyObject *column = name ? describe_column(cu->connection, name) : PyErr_NoMemory();
        if (column) PyTuple_SET_ITEM(description, i, column);
        else Py_CLEAR(description);
    }
    if (!description) return -1;
    Py_SETREF(cu->description, description);
    return 0;
}

/* ---- values -------------------------------------------------------------------------------------------------------------- */

COLD static PyObject *raise_undecodable(Sqlite *state, const char *column, const char *text)
{
    char buffer[200];                         /* messages are no longer */
    if (!PyErr_ExceptionMatches(PyExc_UnicodeDecodeError)) return NULL;
    PyErr_Clear();
    if (!column) return PyErr_NoMemory();
    PyOS_snprintf(buffer, sizeof buffer - 1, "Could not decode to UTF-8 column '%s' with text '%s'", column, text);
    PyObject *message = PyUnicode_Decode(buffer, (Py_ssize_t)strlen(buffer), "ascii", "replace");
    if (message) PyErr_SetObject(state->exceptions[OPERATIONAL_ERROR], message);
    Py_XDECREF(message);
    return NULL;
}

/* Empty values have no address; others do, or memory ran out. */
static bool out_of_memory(sqlite3_stmt *st) { return sqlite3_errcode(sqlite3_db_handle(st)) == SQLITE_NOMEM; }

/* With the database locked. *raw: bytes, which a converter or text factory is still to be called with. NEW. */
static PyObject *column_value(Connection *cx, sqlite3_stmt *st, int i, PyObject *converter, bool *raw)
{
    *raw = false;
    if (converter) {
        const void *p = sqlite3_column_blob(st, i);
        if (!p) return out_of_memory(st) ? PyErr_NoMemory() : Py_NewRef(Py_None);
        *raw = true;
        return PyBytes_FromStringAndSize(p, sqlite3_column_bytes(st, i));
    }
    switch (sqlite3_column_type(st, i)) {
    case SQLITE_NULL: return Py_NewRef(Py_None);
    case SQLITE_INTEGER: return PyLong_FromLongLong(sqlite3_column_int64(st, i));
    case SQLITE_FLOAT: return PyFloat_FromDouble(sqlite3_column_double(st, i));
    case SQLITE_TEXT: {
        const char *text = (const char *)sqlite3_column_text(st, i);
        if (!text && out_of_memory(st)) return PyErr_NoMemory();
        int n = sqlite3_column_bytes(st, i);
        PyObject *factory = cx->text_factory;
        if (LIKELY(factory == (PyObject *)&PyUnicode_Type || !factory)) {
            PyObject *value = PyUnicode_FromStringAndSize(text, n);
            return value ? value : raise_undecodable(cx->state, sqlite3_column_name(st, i), text);
        }
        if (factory == (PyObject *)&PyByteArray_Type) return PyByteArray_FromStringAndSize(text, n);
        *raw = factory != (PyObject *)&PyBytes_Type;
        return PyBytes_FromStringAndSize(text, n);
    }
    default: {
        const void *p = sqlite3_column_blob(st, i);
        if (!p && out_of_memory(st)) return PyErr_NoMemory();
        return PyBytes_FromStringAndSize(p, sqlite3_column_bytes(st, i));
    }
    }
}

/* The row that the statement stands on, as a tuple. */
static PyObject *fetch_row(Cursor *cu, sqlite3_stmt *st)
{
    Connection *cx = cu->connection;
    sqlite3 *db = sqlite3_db_handle(st);
    PyObject *converters = cx->detect_types ? cu->converters : NULL;
    database_lock(db);
    int n = sqlite3_data_count(st);
    PyObject *row = PyTuple_New(n);
    for (int i = 0; row && i < n; i++) {
        PyObject *converter = converters && i < PyList_GET_SIZE(converters) ? PyList_GET_ITEM(converters, i) : Py_None;
        bool raw;
        PyObject *value = column_value(cx, st, i, converter == Py_None ? NULL : converter, &raw);
        if (value && raw) {                   /* Python code runs without the lock */
            database_unlock(db);
            PyObject *function = Py_NewRef(converter != Py_None ? converter : cx->text_factory ? cx->text_factory : (PyObject *)&PyUnicode_Type);
            Py_SETREF(value, PyObject_CallOneArg(function, value));
            Py_DECREF(function);
            database_lock(db);
        }
        if (value) PyTuple_SET_ITEM(row, i, value);
        else Py_CLEAR(row);
    }
    database_unlock(db);
    return row;
}

/* ---- running ------------------------------------------------------------------------------------------------------------- */

/* SQLITE_ROW, SQLITE_DONE, or -1 with an exception, which may be one that a callback left. */
static int step(Sqlite *state, Statement *s)
{
    int rc;
    UNLOCKED(rc = sqlite3_step(s->st));
    if (rc != SQLITE_ROW && rc != SQLITE_DONE) {
        sqlite_raise_after_callbacks(state, sqlite3_db_handle(s->st));
        if (!PyErr_Occurred()) sqlite_raise(state, DATABASE_ERROR, sqlite3_errstr(rc));
        return -1;
    }
    return UNLIKELY(PyErr_Occurred() != NULL) ? -1 : rc;
}

/* A statement for sql from the connection's cache, none that another cursor is at work with. NEW. */
static Statement *find_statement(Cursor *cu, PyObject *sql)
{
    Connection *cx = cu->connection;
    PyObject *cache = Py_XNewRef(cx->cache);
    if (!cache) return sqlite_raise(cx->state, PROGRAMMING_ERROR, "Cannot operate on a closed database.");
    PyObject *found = PyObject_CallOneArg(cache, sql);
    Py_DECREF(cache);
    if (!found) return NULL;
    if (!Py_IS_TYPE(found, cx->state->statement)) {
        PyErr_Format(PyExc_TypeError, "__call__() should return a statement, not %.100s", Py_TYPE(found)->tp_name);
        Py_DECREF(found);
        return NULL;
    }
    if (LIKELY(!STATEMENT(found)->taken)) return STATEMENT(found);
    Py_DECREF(found);
    return connection_check_open(cx) ? statement_new(cx, sql) : NULL;       /* hashing the text may have closed it */
}

static int run_once(Cursor *cu, Statement *s, PyObject *parameters)
{
    Sqlite *state = cu->connection->state;
    if (statement_bind(state, s, parameters) < 0) return -1;
    if (!s->st) return 0;
    int rc = step(state, s);
    if (rc < 0 || find_converters(cu, s->st) < 0) return -1;
    int columns = sqlite3_column_count(s->st);
    if (cu->description == Py_None && columns > 0 && describe(cu, s->st, columns) < 0) return -1;
    if (rc == SQLITE_DONE) {
        if (s->is_dml) cu->rowcount += sqlite3_changes(sqlite3_db_handle(s->st));
        statement_reset(s);
    }
    return 0;
}

static int run_many(Cursor *cu, Statement *s, PyObject *iterator)
{
    PyObject *parameters;
    if (!s->st || sqlite3_stmt_readonly(s->st)) {
        sqlite_raise(cu->connection->state, PROGRAMMING_ERROR, "executemany() can only execute DML statements.");
        return -1;
    }
    while ((parameters = PyIter_Next(iterator))) {
        int r = run_once(cu, s, parameters);
        Py_DECREF(parameters);
        if (r < 0) return -1;
    }
    return PyErr_Occurred() ? -1 : 0;
}

static int remember_rowid(Cursor *cu, Statement *s)
{
    if (!s->st) return 0;
    PyObject *rowid = PyLong_FromLongLong(sqlite3_last_insert_rowid(sqlite3_db_handle(s->st)));
    if (!rowid) return -1;
    Py_XSETREF(cu->lastrowid, rowid);
    return 0;
}

/* With the cursor locked. iterator: NULL for a single execution. */
static int cursor_execute_locked(Cursor *cu, PyObject *sql, PyObject *parameters, PyObject *iterator)
{
    Connection *cx = cu->connection;
    Py_XSETREF(cu->description, Py_NewRef(Py_None));
    drop_statement(cu);
    Statement *s = find_statement(cu, sql);
    if (!s) return -1;
    s->taken = true;
    cu->statement = s;
    if (!connection_check_open(cx)) return -1;          /* finding it let others run */
    cu->rowcount = s->is_dml ? 0 : -1;
    if (s->is_dml && cx->autocommit == AUTOCOMMIT_LEGACY && cx->isolation_level && sqlite3_get_autocommit(cx->database->db) && connection_begin(cx) < 0) return -1;
    if (iterator) return run_many(cu, s, iterator);
    if (parameters) return run_once(cu, s, parameters) < 0 ? -1 : remember_rowid(cu, s);
    if (!(parameters = PyTuple_New(0))) return -1;
    int r = run_once(cu, s, parameters);
    Py_DECREF(parameters);
    return r < 0 ? -1 : remember_rowid(cu, s);
}

PyObject *cursor_run(Cursor *cu, PyObject *sql, PyObject *parameters, bool many)
{
    PyObject *iterator = NULL;
    if (!PyUnicode_Check(sql))
        return PyErr_Format(PyExc_TypeError, "%s() argument 1 must be str, not %.50s", many ? "executemany" : "execute",
                            sql == Py_None ? "None" : Py_TYPE(sql)->tp_name);
    if (!cursor_check(cu)) {
        if (!cu->locked) cu->rowcount = -1;
        return NULL;
    }
    cu->locked = true;
    int r = many && !(iterator = PyObject_GetIter(parameters)) ? -1 : cursor_execute_locked(cu, sql, parameters, iterator);
    Py_XDECREF(iterator);
    cu->locked = false;
    if (r < 0) {
        drop_statement(cu);
        cu->rowcount = -1;
        return NULL;
    }
    if (!cu->statement->st || !sqlite3_stmt_busy(cu->statement->st)) return_statement(cu);
    return Py_NewRef(cu);
}

BUILTIN(cursor, execute, POSITIONAL, "($self, sql, parameters=(), /)", "Execute a statement.")
{
    return cursor_run(CURSOR(self), arg[0], arg[1], false);
}

BUILTIN(cursor, executemany, POSITIONAL, "($self, sql, seq_of_parameters, /)", "Execute a statement for each of several sets of parameters.")
{
    return cursor_run(CURSOR(self), arg[0], arg[1], true);
}

/* Runs one statement of a script to its end. *text goes on to what follows. */
static int run_next_of_script(Sqlite *state, sqlite3 *db, const char **text, size_t rest)
{
    sqlite3_stmt *st = NULL;
    const char *tail = NULL;
    int rc;
    UNLOCKED({
        rc = sqlite3_prepare_v2(db, *text, (int)rest + 1, &st, &tail);
        if (rc == SQLITE_OK) {
            while (sqlite3_step(st) == SQLITE_ROW) { }
            rc = sqlite3_finalize(st);
        }
    });
    if (rc != SQLITE_OK) {
        sqlite_raise_after_callbacks(state, db);
        return -1;
    }
    *text = tail;
    return PyErr_Occurred() ? -1 : 0;
}

PyObject *cursor_run_script(Cursor *cu, PyObject *script)
{
    Py_ssize_t size;
    if (!PyUnicode_Check(script))
        return PyErr_Format(PyExc_TypeError, "executescript() argument must be str, not %.50s", script == Py_None ? "None" : Py_TYPE(script)->tp_name);
    const char *text = PyUnicode_AsUTF8AndSize(script, &size), *end = text + size;
    if (!text) return NULL;
    if (strlen(text) != (size_t)size) {
        PyErr_SetString(PyExc_ValueError, "embedded null character");
        return NULL;
    }
    if (!cursor_check(cu)) return NULL;
    Connection *cx = cu->connection;
    Database *database = database_hold(cx->database);
    int r = 0;
    Py_INCREF(cx);
    if (size > sqlite3_limit(database->db, SQLITE_LIMIT_SQL_LENGTH, -1)) {
        sqlite_raise(cx->state, DATA_ERROR, "query string is too large");
        r = -1;
    }
    else if (cx->autocommit == AUTOCOMMIT_LEGACY && !sqlite3_get_autocommit(database->db)) r = connection_exec(cx, "COMMIT");
    while (r == 0) {
        r = run_next_of_script(cx->state, database->db, &text, (size_t)(end - text));
        if (text >= end) break;
    }
    database_drop(database);
    Py_DECREF(cx);
    return r < 0 ? NULL : Py_NewRef(cu);
}

BUILTIN_O(cursor, executescript, "($self, sql_script, /)", "Execute several statements.") { return cursor_run_script(CURSOR(self), arg); }

/* ---- fetching ------------------------------------------------------------------------------------------------------------ */

/* With the cursor locked: takes a row and goes on to the next. An error there loses the row. */
static PyObject *take_row(Cursor *cu, Statement *s)
{
    PyObject *row = fetch_row(cu, s->st);
    if (!row) return NULL;
    int rc = step(cu->connection->state, s);
    if (LIKELY(rc == SQLITE_ROW)) return row;
    if (rc == SQLITE_DONE) {
        if (s->is_dml) cu->rowcount = sqlite3_changes(sqlite3_db_handle(s->st));
        drop_statement(cu);
        return row;
    }
    Py_DECREF(row);
    drop_statement(cu);
    return NULL;
}

static PyObject *cursor_next(PyObject *self)
{
    Cursor *cu = CURSOR(self);
    if (!cursor_check(cu) || !cu->statement) return NULL;
    cu->locked = true;
    Statement *s = (Statement *)Py_NewRef(cu->statement);
    PyObject *row = take_row(cu, s);
    Py_DECREF(s);
    cu->locked = false;
    if (!row || !cu->row_factory || cu->row_factory == Py_None) return row;
    PyObject *factory = Py_NewRef(cu->row_factory), *args[] = { self, row };
    Py_SETREF(row, PyObject_Vectorcall(factory, args, 2, NULL));
    Py_DECREF(factory);
    return row;
}

BUILTIN_NOARGS(cursor, fetchone, "($self, /)", "Fetch the next row, or None.")
{
    PyObject *row = cursor_next(self);
    return row || PyErr_Occurred() ? row : Py_NewRef(Py_None);
}

/* most: 0 or less for all. */
static PyObject *fetch_rows(PyObject *self, int most)
{
    PyObject *rows = PyList_New(0), *row;
    int n = 0;
    while (rows && (row = cursor_next(self))) {
        int r = PyList_Append(rows, row);
        Py_DECREF(row);
        if (r < 0 || (most > 0 && ++n == most)) break;
    }
    if (rows && PyErr_Occurred()) Py_CLEAR(rows);
    return rows;
}

BUILTIN(cursor, fetchmany, KEYWORDS, "($self, /, size=1)", "Fetch several rows, as many as the attribute arraysize says unless told otherwise.")
{
    int most = CURSOR(self)->arraysize;
    if (arg[0] && (most = PyLong_AsInt(arg[0])) == -1 && PyErr_Occurred()) return NULL;
    return fetch_rows(self, most);
}

BUILTIN_NOARGS(cursor, fetchall, "($self, /)", "Fetch all rows that are left.") { return fetch_rows(self, 0); }

BUILTIN_O(cursor, setinputsizes, "($self, sizes, /)", "The DB-API wants it. Does nothing.") { Py_RETURN_NONE; }

BUILTIN(cursor, setoutputsize, POSITIONAL, "($self, size, column=None, /)", "The DB-API wants it. Does nothing.") { Py_RETURN_NONE; }

/* ---- the type ------------------------------------------------------------------------------------------------------------ */

static PyMethodDef cursor_methods[] = {
    METHOD(cursor, close), METHOD(cursor, executemany), METHOD(cursor, executescript), METHOD(cursor, execute), METHOD(cursor, fetchall),
    METHOD(cursor, fetchmany), METHOD(cursor, fetchone), METHOD(cursor, setinputsizes), METHOD(cursor, setoutputsize), { 0 }
};
static PyMemberDef cursor_members[] = {
    { "connection", _Py_T_OBJECT, offsetof(Cursor, connection), Py_READONLY, NULL },
    { "description", _Py_T_OBJECT, offsetof(Cursor, description), Py_READONLY, NULL },
    { "arraysize", Py_T_INT, offsetof(Cursor, arraysize), 0, NULL },
    { "lastrowid", _Py_T_OBJECT, offsetof(Cursor, lastrowid), Py_READONLY, NULL },
    { "rowcount", Py_T_LONG, offsetof(Cursor, rowcount), Py_READONLY, NULL },
    { "row_factory", _Py_T_OBJECT, offsetof(Cursor, row_factory), 0, NULL },
    { "__weaklistoffset__", Py_T_PYSSIZET, offsetof(Cursor, weakrefs), Py_READONLY, NULL }, { 0 }
};

static PyType_Slot cursor_slots[] = {
    { Py_tp_dealloc, cursor_dealloc }, { Py_tp_doc, (void *)"A cursor: runs statements and gives out rows." }, { Py_tp_iter, PyObject_SelfIter },
    { Py_tp_iternext, cursor_next }, { Py_tp_methods, cursor_methods }, { Py_tp_members, cursor_members }, { Py_tp_init, cursor_init },
    { Py_tp_traverse, cursor_traverse }, { Py_tp_clear, cursor_clear }, { 0, NULL }
};
static PyType_Spec cursor_spec = {
    "sqlite3.Cursor", sizeof(Cursor), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE, cursor_slots
};

int cursor_add_type(PyObject *module, Sqlite *state) { return (state->cursor = sqlite_add_type(module, &cursor_spec, true)) ? 0 : -1; }
