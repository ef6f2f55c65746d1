/* Statement: a compiled SQL statement, and the binding of parameters to it.
 *
 * Statements are made by calling a connection, through its cache. A statement's own database is sqlite3_db_handle(st),
 * which lives as long as the statement, also when the connection was closed or opened anew. */
#include "sqlite.h"

/* ---- text of a statement ------------------------------------------------------------------------------------------------- */

/* What follows white space and comments; NULL when nothing does. */
static const char *skip_blank(const char *p)
{
    for (;;) {
        if (*p == ' ' || *p == '\t' || *p == '\f' || *p == '\n' || *p == '\r') p++;
        else if (p[0] == '-' && p[1] == '-') {
            p += strcspn(p, "\n");
        }
        else if (p[0] == '/' && p[1] == '*') {
            p = strstr(p + 2, "*/");
            if (!p) return NULL;              /* the library, too, lets a comment run to the end */
            p += 2;
        }
        else return *p ? p : NULL;
    }
}

static bool is_dml(const char *sql)
{
    static const char *const verbs[] = { "insert", "update", "delete", "replace" };
    const char *p = skip_blank(sql);
    if (!p) return false;
    for (size_t i = 0; i < ARRAY_LENGTH(verbs); i++) if (sqlite3_strnicmp(p, verbs[i], (int)strlen(verbs[i])) == 0) return true;
    return false;
}

Statement *statement_new(Connection *cx, PyObject *sql)
{
    Sqlite *state = cx->state;
    Py_ssize_t size;
    const char *text = PyUnicode_AsUTF8AndSize(sql, &size), *tail = NULL;
    if (!text) return NULL;
    Database *database = database_hold(cx->database);
    sqlite3 *db = database->db;
    Statement *s = NULL;
    sqlite3_stmt *st = NULL;
    int rc;

    if (size > sqlite3_limit(db, SQLITE_LIMIT_SQL_LENGTH, -1)) {
        sqlite_raise(state, DATA_ERROR, "query string is too large");
        goto done;
    }
    if (strlen(text) != (size_t)size) {
        sqlite_raise(state, PROGRAMMING_ERROR, "the query contains a null character");
        goto done;
    }
    UNLOCKED(rc = sqlite3_prepare_v2(db, text, (int)size + 1, &st, &tail));
    if (rc != SQLITE_OK) {
        sqlite_raise_after_callbacks(state, db);
        goto done;
    }
    if (skip_blank(tail)) {
        sqlite_raise(state, PROGRAMMING_ERROR, "You can only execute one statement at a time.");
        goto done;
    }
    if (!(s = PyObject_GC_New(Statement, state->statement))) goto done;
    s->st = st;
    s->is_dml = is_dml(text);
    s->taken = false;
    st = NULL;
    PyObject_GC_Track(s);
done:
    if (st) UNLOCKED(sqlite3_finalize(st));
    database_drop(database);
    return s;
}

/* Back to its beginning. That it failed is known already: the library only says it again. */
void statement_reset(Statement *s)
{
    if (!s->st) return;
    if (sqlite3_stmt_busy(s->st)) UNLOCKED(sqlite3_reset(s->st));
    else {                                    /* has run to its end: nothing is left but to say so */
        sqlite3 *db = sqlite3_db_handle(s->st);
        database_lock(db);
        sqlite3_reset(s->st);
        database_unlock(db);
    }
}

static int statement_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    return 0;
}

static void statement_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    if (STATEMENT(self)->st) {
        PyObject *exc = PyErr_GetRaisedException();
        UNLOCKED(sqlite3_finalize(STATEMENT(self)->st));
        PyErr_SetRaisedException(exc);
    }
    PyObject_GC_Del(self);
    Py_DECREF(type);
}

static PyType_Slot statement_slots[] = { { Py_tp_dealloc, statement_dealloc }, { Py_tp_traverse, statement_traverse }, { 0, NULL } };
static PyType_Spec statement_spec = {
    "sqlite3.Statement", sizeof(Statement), 0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION, statement_slots
};

int statement_add_type(PyObject *module, Sqlite *state)
{
    return (state->statement = sqlite_add_type(module, &statement_spec, false)) ? 0 : -1;
}

/* ---- binding ------------------------------------------------------------------------------------------------------------- */

/* The library's result code, or -1 with an exception. */
static int bind_text(sqlite3_stmt *st, int at, PyObject *text)
{
    Py_ssize_t n;
    const char *p = PyUnicode_AsUTF8AndSize(text, &n);
    if (!p) return -1;
    if (n <= INT_MAX) return sqlite3_bind_text(st, at, p, (int)n, SQLITE_TRANSIENT);
    PyErr_SetString(PyExc_OverflowError, "string longer than INT_MAX bytes");
    return -1;
}

static int bind_buffer(sqlite3_stmt *st, int at, PyObject *object)
{
    Py_buffer view;
    int rc = -1;
    if (PyObject_GetBuffer(object, &view, PyBUF_SIMPLE) < 0) return -1;
    if (view.len > INT_MAX) PyErr_SetString(PyExc_OverflowError, "BLOB longer than INT_MAX bytes");
    else rc = sqlite3_bind_blob(st, at, view.buf, (int)view.len, SQLITE_TRANSIENT);
    PyBuffer_Release(&view);
    return rc;
}

static int bind_value(Sqlite *state, sqlite3_stmt *st, int at, PyObject *value)
{
    if (value == Py_None) return sqlite3_bind_null(st, at);
    if (PyLong_Check(value)) {
        sqlite3_int64 number;
        return sqlite_number(value, &number) < 0 ? -1 : sqlite3_bind_int64(st, at, number);
    }
    if (PyFloat_Check(value)) return sqlite3_bind_double(st, at, PyFloat_AS_DOUBLE(value));
    if (PyUnicode_Check(value)) return bind_text(st, at, value);
    if (PyObject_CheckBuffer(value)) return bind_buffer(st, at, value);
    PyErr_Format(state->exceptions[PROGRAMMING_ERROR], "Error binding parameter %d: type '%s' is not supported", at, Py_TYPE(value)->tp_name);
    return -1;
}

/* What the library has to say comes on top of an exception of ours. */
static void raise_binding(Sqlite *state, sqlite3 *db)
{
    PyObject *exc = PyErr_GetRaisedException();
    sqlite_raise_library(state, db);
    PyObject *second = PyErr_GetRaisedException();
    if (second && exc) PyException_SetContext(second, exc);
    PyErr_SetRaisedException(second ? second : exc);
}

static inline bool wants_adapting(Sqlite *state, PyObject *value)
{
    return state->base_types_adapted ||
           !(PyLong_CheckExact(value) || PyFloat_CheckExact(value) || PyUnicode_CheckExact(value) || PyByteArray_CheckExact(value));
}

/* Binds a value (borrowed). */
static int bind_one(Sqlite *state, sqlite3_stmt *st, int at, PyObject *value)
{
    PyObject *adapted = NULL;
    if (wants_adapting(state, value)) {
        if (!(adapted = sqlite_adapt_object(state, value, (PyObject *)state->protocol, value))) return -1;
        value = adapted;
    }
    sqlite3 *db = sqlite3_db_handle(st);
    database_lock(db);
    int rc = bind_value(state, st, at, value);
    database_unlock(db);
    Py_XDECREF(adapted);
    if (rc == SQLITE_OK) return 0;
    raise_binding(state, db);
    return PyErr_Occurred() ? -1 : 0;
}

static int warn_named(int at, const char *name)
{
    return PyErr_WarnFormat(PyExc_DeprecationWarning, 1,
                            "Binding %d ('%s') is a named parameter, but you supplied a sequence which requires nameless (qmark) placeholders. "
                            "Starting with Python 3.14 an sqlite3.ProgrammingError will be raised.", at, name);
}

static int bind_sequence(Sqlite *state, sqlite3_stmt *st, int count, PyObject *parameters)
{
    Py_ssize_t given = PySequence_Size(parameters);
    if (given < 0) return -1;
    if (given != count) {
        PyErr_Format(state->exceptions[PROGRAMMING_ERROR],
                     "Incorrect number of bindings supplied. The current statement uses %d, and there are %zd supplied.", count, given);
        return -1;
    }
    for (int i = 0; i < count; i++) {
        const char *name = sqlite3_bind_parameter_name(st, i + 1);
        if (name && name[0] != '?' && warn_named(i + 1, name) < 0) return -1;
        PyObject *value;                      /* a list may have become shorter */
        if (PyTuple_CheckExact(parameters)) value = Py_NewRef(PyTuple_GET_ITEM(parameters, i));
        else if (PyList_CheckExact(parameters)) value = Py_XNewRef(PyList_GetItem(parameters, i));
        else value = PySequence_GetItem(parameters, i);
        if (!value) return -1;
        int r = bind_one(state, st, i + 1, value);
        Py_DECREF(value);
        if (r < 0) return -1;
    }
    return 0;
}

static int bind_mapping(Sqlite *state, sqlite3_stmt *st, int count, PyObject *parameters)
{
    for (int i = 0; i < count; i++) {
        const char *name = sqlite3_bind_parameter_name(st, i + 1);
        if (!name) {
            PyErr_Format(state->exceptions[PROGRAMMING_ERROR],
                         "Binding %d has no name, but you supplied a dictionary (which has only names).", i + 1);
            return -1;
        }
        PyObject *value = NULL;
        int r = PyMapping_GetOptionalItemString(parameters, ++name, &value);
        if (r == 0 || (r < 0 && PyErr_ExceptionMatches(PyExc_LookupError)))
            PyErr_Format(state->exceptions[PROGRAMMING_ERROR], "You did not supply a value for binding parameter :%s.", name);
        if (!value) return -1;
        r = bind_one(state, st, i + 1, value);
        Py_DECREF(value);
        if (r < 0) return -1;
    }
    return 0;
}

int statement_bind(Sqlite *state, Statement *s, PyObject *parameters)
{
    int count = sqlite3_bind_parameter_count(s->st);
    if (PyTuple_CheckExact(parameters) || PyList_CheckExact(parameters) || (!PyDict_Check(parameters) && PySequence_Check(parameters)))
        return bind_sequence(state, s->st, count, parameters);
    if (PyDict_Check(parameters)) return bind_mapping(state, s->st, count, parameters);
    sqlite_raise(state, PROGRAMMING_ERROR, "parameters are of unsupported type");
    return -1;
}
