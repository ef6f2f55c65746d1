/* More methods of Connection: backups, serialized images, limits and options, extensions, blobs, dumps. */
#include "sqlite.h"

#include <limits.h>

/* ---- backups ------------------------------------------------------------------------------------------------------------- */

static int report_progress(PyObject *progress, sqlite3_backup *backup, int rc)
{
    if (progress == Py_None) return 0;
    PyObject *result = PyObject_CallFunction(progress, "iii", rc, sqlite3_backup_remaining(backup), sqlite3_backup_pagecount(backup));
    Py_XDECREF(result);
    return result ? 0 : -1;
}

/* Both databases are held: progress() may close their connections. */
static int run_backup(Sqlite *state, sqlite3 *target, sqlite3 *source, const char *name, int pages, PyObject *progress, int sleep)
{
    sqlite3_backup *backup;
    int rc, failed = 0;
    UNLOCKED(backup = sqlite3_backup_init(target, "main", source, name));
    if (!backup) {
        sqlite_raise_library(state, target);
        return -1;
    }
    do {
        UNLOCKED(rc = sqlite3_backup_step(backup, pages));
        if (report_progress(progress, backup, rc) < 0) {
            failed = -1;
            break;
        }
        if (rc == SQLITE_BUSY || rc == SQLITE_LOCKED) UNLOCKED(sqlite3_sleep(sleep));
    } while (rc == SQLITE_OK || rc == SQLITE_BUSY || rc == SQLITE_LOCKED);
    UNLOCKED(rc = sqlite3_backup_finish(backup));
    if (!failed && rc != SQLITE_OK) {
        sqlite_raise_library(state, target);
        failed = -1;
    }
    return failed;
}

BUILTIN(connection, backup, KEYWORDS, "($self, /, target, *, pages=-1, progress=None, name='main',\n       sleep=0.25)", "Copy a database to another connection.")
{
    Connection *cx = CONNECTION(self), *target = CONNECTION(arg[0]);
    int pages = -1;
    double sleep = 0.25;
    Sqlite *state = cx->state ? cx->state : sqlite_state_of(self);
    if (!state) return NULL;
    if (!PyObject_TypeCheck(arg[0], state->connection))
        return PyErr_Format(PyExc_TypeError, "backup() argument 'target' must be sqlite3.Connection, not %.50s", arg[0] == Py_None ? "None" : Py_TYPE(arg[0])->tp_name);
    if (arg[1] && (pages = PyLong_AsInt(arg[1])) == -1 && PyErr_Occurred()) return NULL;
    const char *name = sqlite_name(arg[3], "backup");
    if (!name) return NULL;
    if (arg[4] && (sleep = PyFloat_AsDouble(arg[4])) == -1 && PyErr_Occurred()) return NULL;
    PyObject *progress = arg[2] ? arg[2] : Py_None;
    if (!connection_check(cx) || !connection_check_open(target)) return NULL;
    if (target == cx) return PyErr_Format(PyExc_ValueError, "target cannot be the same connection instance");
    if (progress != Py_None && !PyCallable_Check(progress)) return PyErr_Format(PyExc_TypeError, "progress argument must be a callable");
    double ms = sleep * 1000;
    Database *from = database_hold(cx->database), *to = database_hold(target->database);
    int r = run_backup(state, to->db, from->db, name, pages ? pages : -1, progress, ms >= 0 && ms < INT_MAX ? (int)ms : 0);
    database_drop(to);
    database_drop(from);
    if (r < 0) return NULL;
    Py_RETURN_NONE;
}

/* ---- serialized images --------------------------------------------------------------------------------------------------- */

BUILTIN(connection, serialize, KEYWORDS, "($self, /, *, name='main')", "The bytes of the file that a database is, or would be.")
{
    Connection *cx = CONNECTION(self);
    const char *name = sqlite_name(arg[0], "serialize");
    if (!name || !connection_check(cx)) return NULL;
    Database *database = database_hold(cx->database);
    sqlite3_int64 n = 0;
    unsigned char *data;
    PyObject *bytes;
    UNLOCKED(data = sqlite3_serialize(database->db, name, &n, 0));
    if (data) bytes = PyBytes_FromStringAndSize((char *)data, n);
    else bytes = PyErr_Format(cx->state->exceptions[OPERATIONAL_ERROR], "unable to serialize '%s'", name);
    sqlite3_free(data);
    database_drop(database);
    return bytes;
}

/* bytes-like, or a str for its UTF-8. */
static int image_of(PyObject *object, Py_buffer *view)
{
    if (!PyUnicode_Check(object)) return PyObject_GetBuffer(object, view, PyBUF_SIMPLE);
    Py_ssize_t n;
    const char *text = PyUnicode_AsUTF8AndSize(object, &n);
    return text ? PyBuffer_FillInfo(view, object, (void *)text, n, 1, PyBUF_SIMPLE) : -1;
}

BUILTIN(connection, deserialize, KEYWORDS, "($self, data, /, *, name='main')", "Go on with the database whose file has these bytes, in memory.")
{
    Connection *cx = CONNECTION(self);
    Py_buffer view;
    int rc = -1;
    if (image_of(arg[0], &view) < 0) return NULL;
    const char *name = sqlite_name(arg[1], "deserialize");
    if (!name || !connection_check(cx)) goto done;
    Database *database = database_hold(cx->database);
    unsigned char *copy = sqlite3_malloc64((sqlite3_uint64)view.len);
    if (copy) {
        memcpy(copy, view.buf, (size_t)view.len);       /* the library's from now on, also when it fails */
        UNLOCKED(rc = sqlite3_deserialize(database->db, name, copy, view.len, view.len, SQLITE_DESERIALIZE_FREEONCLOSE | SQLITE_DESERIALIZE_RESIZEABLE));
        if (rc != SQLITE_OK) sqlite_raise_after_callbacks(cx->state, database->db);
    }
    else PyErr_NoMemory();
    database_drop(database);
done:
    PyBuffer_Release(&view);
    if (rc != SQLITE_OK) return NULL;
    Py_RETURN_NONE;
}

/* ---- limits and options -------------------------------------------------------------------------------------------------- */

static PyObject *change_limit(Connection *cx, int category, int limit)
{
    if (!connection_check(cx)) return NULL;
    int old = sqlite3_limit(cx->database->db, category, limit);
    return old < 0 ? sqlite_raise(cx->state, PROGRAMMING_ERROR, "'category' is out of bounds") : PyLong_FromLong(old);
}

BUILTIN(connection, setlimit, POSITIONAL, "($self, category, limit, /)", "Set a limit, unless it is negative or above what it may be. Returns what it was.")
{
    int category = PyLong_AsInt(arg[0]);
    if (category == -1 && PyErr_Occurred()) return NULL;
    int limit = PyLong_AsInt(arg[1]);
    if (limit == -1 && PyErr_Occurred()) return NULL;
    return change_limit(CONNECTION(self), category, limit);
}

BUILTIN_O(connection, getlimit, "($self, category, /)", "Return a limit.")
{
    int category = PyLong_AsInt(arg);
    if (category == -1 && PyErr_Occurred()) return NULL;
    return change_limit(CONNECTION(self), category, -1);
}

/* Options that are on or off. */
static bool is_switch(int op)
{
    switch (op) {
    case SQLITE_DBCONFIG_ENABLE_FKEY: case SQLITE_DBCONFIG_ENABLE_TRIGGER: case SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER:
    case SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION: case SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE: case SQLITE_DBCONFIG_ENABLE_QPSG:
    case SQLITE_DBCONFIG_TRIGGER_EQP: case SQLITE_DBCONFIG_RESET_DATABASE: case SQLITE_DBCONFIG_DEFENSIVE:
    case SQLITE_DBCONFIG_WRITABLE_SCHEMA: case SQLITE_DBCONFIG_LEGACY_ALTER_TABLE: case SQLITE_DBCONFIG_DQS_DML:
    case SQLITE_DBCONFIG_DQS_DDL: case SQLITE_DBCONFIG_ENABLE_VIEW: case SQLITE_DBCONFIG_LEGACY_FILE_FORMAT:
    case SQLITE_DBCONFIG_TRUSTED_SCHEMA: return true;
    default: return false;
    }
}

/* wanted: 0, 1, or -1 to ask. *is: what holds then. */
static int configure(Connection *cx, int op, int wanted, int *is)
{
    if (!connection_check(cx)) return -1;
    if (!is_switch(op)) {
        PyErr_Format(PyExc_ValueError, "unknown config 'op': %d", op);
        return -1;
    }
    Database *database = database_hold(cx->database);
    int rc;
    UNLOCKED(rc = sqlite3_db_config(database->db, op, wanted, is));
    if (rc != SQLITE_OK) sqlite_raise_library(cx->state, database->db);
    database_drop(database);
    return rc == SQLITE_OK ? 0 : -1;
}

BUILTIN(connection, setconfig, POSITIONAL, "($self, op, enable=True, /)", "Switch an option on or off: one of the SQLITE_DBCONFIG constants.")
{
    int op = PyLong_AsInt(arg[0]), enable = 1, is;
    if (op == -1 && PyErr_Occurred()) return NULL;
    if (arg[1] && (enable = PyObject_IsTrue(arg[1])) < 0) return NULL;
    if (configure(CONNECTION(self), op, enable, &is) < 0) return NULL;
    if (is != enable) return sqlite_raise(CONNECTION(self)->state, OPERATIONAL_ERROR, "Unable to set config");
    Py_RETURN_NONE;
}

BUILTIN_O(connection, getconfig, "($self, op, /)", "Whether an option is on: one of the SQLITE_DBCONFIG constants.")
{
    int op = PyLong_AsInt(arg), is;
    if (op == -1 && PyErr_Occurred()) return NULL;
    return configure(CONNECTION(self), op, -1, &is) < 0 ? NULL : PyBool_FromLong(is);
}

/* ---- extensions ---------------------------------------------------------------------------------------------------------- */

BUILTIN_O(connection, enable_load_extension, "($self, enable, /)", "Allow extensions of the library to be loaded, or forbid it.")
{
    Connection *cx = CONNECTION(self);
    int on = PyObject_IsTrue(arg);
    if (on < 0 || PySys_Audit("sqlite3.enable_load_extension", "OO", self, on ? Py_True : Py_False) < 0) return NULL;
    if (!connection_check(cx)) return NULL;
    Database *database = database_hold(cx->database);
    int rc;
    UNLOCKED(rc = sqlite3_enable_load_extension(database->db, on));
    database_drop(database);
    if (rc != SQLITE_OK) return sqlite_raise(cx->state, OPERATIONAL_ERROR, "Error enabling load extension");
    Py_RETURN_NONE;
}

BUILTIN(connection, load_extension, KEYWORDS, "($self, name, /, *, entrypoint=None)", "Load an extension of the library.")
{
    Connection *cx = CONNECTION(self);
    const char *name = sqlite_text(arg[0], "load_extension", "argument 1"), *entry = NULL;
    if (!name) return NULL;
    if (arg[1] && arg[1] != Py_None) {
        if (!PyUnicode_Check(arg[1]))
            return PyErr_Format(PyExc_TypeError, "load_extension() argument 'entrypoint' must be str or None, not %.50s", Py_TYPE(arg[1])->tp_name);
        if (!(entry = sqlite_text(arg[1], "load_extension", "argument 'entrypoint'"))) return NULL;
    }
    if (PySys_Audit("sqlite3.load_extension", "Os", self, name) < 0) return NULL;
    if (!connection_check(cx)) return NULL;
    Database *database = database_hold(cx->database);
    char *message = NULL;
    int rc;
    UNLOCKED(rc = sqlite3_load_extension(database->db, name, entry, &message));
    if (rc != SQLITE_OK) sqlite_raise(cx->state, OPERATIONAL_ERROR, message ? message : "unable to load extension");
    sqlite3_free(message);
    database_drop(database);
    if (rc != SQLITE_OK) return NULL;
    Py_RETURN_NONE;
}

/* ---- the rest ------------------------------------------------------------------------------------------------------------ */

BUILTIN(connection, blobopen, KEYWORDS, "($self, table, column, row, /, *, readonly=False, name='main')", "Open a BLOB to read and write it in place.")
{
    Connection *cx = CONNECTION(self);
    sqlite3_int64 row;
    int readonly = 0;
    const char *table = sqlite_text(arg[0], "blobopen", "argument 1"), *column = table ? sqlite_text(arg[1], "blobopen", "argument 2") : NULL;
    if (!column) return NULL;
    if (!PyLong_Check(arg[2])) return PyErr_Format(PyExc_TypeError, "expected 'int'");
    if (sqlite_number(arg[2], &row) < 0) return NULL;
    if (arg[3] && (readonly = PyObject_IsTrue(arg[3])) < 0) return NULL;
    const char *name = sqlite_name(arg[4], "blobopen");
    if (!name || !connection_check(cx)) return NULL;
    return blob_open(cx, table, column, row, readonly, name);
}

BUILTIN_NOARGS(connection, interrupt, "($self, /)", "End what the database is doing.")
{
    if (!connection_check_open(CONNECTION(self))) return NULL;
    sqlite3_interrupt(CONNECTION(self)->database->db);
    Py_RETURN_NONE;
}

BUILTIN(connection, iterdump, KEYWORDS, "($self, /, *, filter=None)", "An iterator over SQL statements that make the database anew.\n\nfilter: a LIKE pattern for what to dump.")
{
    Connection *cx = CONNECTION(self);
    if (!connection_check_open(cx)) return NULL;
    PyObject *module = PyImport_ImportModule("sqlite3.dump"), *dump = module ? PyObject_GetAttrString(module, "_iterdump") : NULL;
    Py_XDECREF(module);
    if (!dump) return PyErr_Occurred() ? NULL : sqlite_raise(cx->state, OPERATIONAL_ERROR, "Failed to obtain _iterdump() reference");
    PyObject *args[] = { self, arg[0] ? arg[0] : Py_None }, *names = Py_BuildValue("(s)", "filter");
    PyObject *result = names ? PyObject_Vectorcall(dump, args, 1, names) : NULL;
    Py_XDECREF(names);
    Py_DECREF(dump);
    return result;
}

const PyMethodDef connection_features[] = {
    METHOD(connection, backup), METHOD(connection, blobopen), METHOD(connection, deserialize), METHOD(connection, enable_load_extension),
    METHOD(connection, getconfig), METHOD(connection, getlimit), METHOD(connection, interrupt), METHOD(connection, iterdump),
    METHOD(connection, load_extension), METHOD(connection, serialize), METHOD(connection, setconfig), METHOD(connection, setlimit), { 0 }
};
