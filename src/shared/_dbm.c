/* The _dbm module: databases of the ndbm kind, by gdbm's compatibility library.
 *
 * A closed database has no file; every method looks first. What a fetch returns belongs to the library until the next call of it. */
#include "capi/args.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <ndbm.h>

#include "shared/databases.h"

typedef struct DbmState { PyObject *error; PyTypeObject *type; } DbmState;

typedef struct Database {
    PyObject_HEAD
    int flags;
    int count;                                /* of keys, -1 when not known */
    DBM *file;
} Database;

#define DATABASE(o) ((Database *)(o))

static PyModuleDef dbm_module;

static DbmState *state_of(PyObject *database) { return PyModule_GetState(PyType_GetModuleByDef(Py_TYPE(database), &dbm_module)); }

static int check_open(PyObject *self)
{
    if (DATABASE(self)->file) return 0;
    PyErr_SetString(state_of(self)->error, "DBM object has already been closed");
    return -1;
}

/* As a first argument of a method, which the exception names. The text lasts as long as o. */
static int read_argument(PyObject *o, const char *format, datum *d)
{
    if (PyUnicode_Check(o) || PyBytes_Check(o) || is_fleeting(o)) return read_datum(o, d, NULL);
    PyObject *tuple = PyTuple_Pack(1, o);
    const char *text;
    Py_ssize_t size;
    int status = tuple && PyArg_ParseTuple(tuple, format, &text, &size) ? read_datum(o, d, NULL) : -1;
    Py_XDECREF(tuple);
    return status;
}

static PyObject *bytes_of(datum d) { return PyBytes_FromStringAndSize(d.dptr, d.dsize); }

static int failed(PyObject *self, const char *text)
{
    dbm_clearerr(DATABASE(self)->file);
    PyErr_SetString(state_of(self)->error, text);
    return -1;
}

static int store(PyObject *self, datum key, datum value, int how)
{
    DATABASE(self)->count = -1;
    return dbm_store(DATABASE(self)->file, key, value, how) < 0 ? failed(self, "cannot add item to database") : 0;
}

static PyObject *database_subscript(PyObject *self, PyObject *key)
{
    datum k;
    if (read_datum(key, &k, NULL) < 0 || check_open(self) < 0) return NULL;
    datum value = dbm_fetch(DATABASE(self)->file, k);
    if (value.dptr) return bytes_of(value);
    PyErr_SetObject(PyExc_KeyError, key);
    return NULL;
}

static int database_assign(PyObject *self, PyObject *key, PyObject *value)
{
    datum k, v;
    if (read_datum(key, &k, "dbm mappings have bytes or string keys only") < 0 || check_open(self) < 0) return -1;
    if (value) {
        if (read_datum(value, &v, "dbm mappings have bytes or string elements only") < 0) return -1;
        return store(self, k, v, DBM_REPLACE);
    }
    DATABASE(self)->count = -1;
    if (dbm_delete(DATABASE(self)->file, k) >= 0) return 0;
    if (!(DATABASE(self)->flags & O_RDWR)) return failed(self, "cannot delete item from database");
    dbm_clearerr(DATABASE(self)->file);
    PyErr_SetObject(PyExc_KeyError, key);
    return -1;
}

static Py_ssize_t database_length(PyObject *self)
{
    Database *database = DATABASE(self);
    if (check_open(self) < 0) return -1;
    if (database->count < 0) {
        int count = 0;
        for (datum key = dbm_firstkey(database->file); key.dptr; key = dbm_nextkey(database->file)) count++;
        database->count = count;
    }
    return database->count;
}

static int database_bool(PyObject *self) { return check_open(self) < 0 ? -1 : dbm_firstkey(DATABASE(self)->file).dptr != NULL; }

static int database_contains(PyObject *self, PyObject *key)
{
    datum k;
    if (check_open(self) < 0) return -1;
    if (!PyUnicode_Check(key) && !PyBytes_Check(key)) {
        PyErr_Format(PyExc_TypeError, "dbm key must be bytes or string, not %.100s", Py_TYPE(key)->tp_name);
        return -1;
    }
    return read_datum(key, &k, NULL) < 0 ? -1 : dbm_fetch(DATABASE(self)->file, k).dptr != NULL;
}

static void close_file(PyObject *self)
{
    DBM *file = DATABASE(self)->file;
    DATABASE(self)->file = NULL;
    if (file) dbm_close(file);
}

BUILTIN_NOARGS(database, close, "($self, /)", "Close the database.")
{
    close_file(self);
    Py_RETURN_NONE;
}

BUILTIN_RAW(database, keys, "($self, /)", "Return a list of all keys.")
{
    if (refuse_arguments("keys", nargs, kwnames) < 0 || check_open(self) < 0) return NULL;
    PyObject *list = PyList_New(0);
    DBM *file = DATABASE(self)->file;
    for (datum key = dbm_firstkey(file); list && key.dptr; key = dbm_nextkey(file)) {
        PyObject *bytes = bytes_of(key);
        if (!bytes || PyList_Append(list, bytes) < 0) Py_CLEAR(list);
        Py_XDECREF(bytes);
    }
    return list;
}

BUILTIN_RAW(database, clear, "($self, /)", "Remove all items.")
{
    if (refuse_arguments("clear", nargs, kwnames) < 0 || check_open(self) < 0) return NULL;
    DBM *file = DATABASE(self)->file;
    DATABASE(self)->count = 0;
    for (datum key = dbm_firstkey(file); key.dptr; key = dbm_firstkey(file)) {
        if (dbm_delete(file, key) >= 0) continue;
        DATABASE(self)->count = -1;
        failed(self, "cannot delete item from database");
        return NULL;
    }
    Py_RETURN_NONE;
}

BUILTIN(database, get, KEYWORDS, "($self, key, default=None, /)", "Return the value of a key, or default.")
{
    datum k;
    if (read_argument(arg[0], "s#:get", &k) < 0 || check_open(self) < 0) return NULL;
    datum value = dbm_fetch(DATABASE(self)->file, k);
    return value.dptr ? bytes_of(value) : Py_NewRef(arg[1] ? arg[1] : Py_None);
}

BUILTIN(database, setdefault, KEYWORDS, "($self, key, default=b'', /)", "Return the value of a key, which becomes default when there is none.")
{
    datum k, v = { .dptr = (char *)"", .dsize = 0 };
    if (read_argument(arg[0], "s#:setdefault", &k) < 0 || check_open(self) < 0) return NULL;
    datum value = dbm_fetch(DATABASE(self)->file, k);
    if (value.dptr) return bytes_of(value);
    if (arg[1] && read_datum(arg[1], &v, "dbm mappings have bytes or string elements only") < 0) return NULL;
    if (store(self, k, v, DBM_INSERT) < 0) return NULL;
    return arg[1] ? Py_NewRef(arg[1]) : PyBytes_FromStringAndSize(NULL, 0);
}

BUILTIN_NOARGS(database, __enter__, "($self, /)", "") { return Py_NewRef(self); }

static PyObject *database_exit(PyObject *self, PyObject *args)
{
    close_file(self);
    Py_RETURN_NONE;
}

static int database_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    return 0;
}

static void database_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    close_file(self);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMethodDef database_methods[] = {
    METHOD(database, close), METHOD(database, keys), METHOD(database, get), METHOD(database, setdefault), METHOD(database, clear),
    METHOD_UNDOCUMENTED(database, __enter__), { "__exit__", database_exit, METH_VARARGS, NULL }, {0}
};

static PyType_Slot database_slots[] = {
    { Py_tp_dealloc, database_dealloc }, { Py_tp_traverse, database_traverse }, { Py_tp_methods, database_methods },
    { Py_mp_length, database_length }, { Py_mp_subscript, database_subscript }, { Py_mp_ass_subscript, database_assign },
    { Py_sq_contains, database_contains }, { Py_nb_bool, database_bool }, {0}
};

static PyType_Spec database_spec = {
    "_dbm.dbm", sizeof(Database), 0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE, database_slots
};

/* The access that flags stand for; -1 for others. */
static int access_of(const char *flags)
{
    if (strcmp(flags, "r") == 0) return O_RDONLY;
    if (strcmp(flags, "w") == 0) return O_RDWR;
    if (strcmp(flags, "rw") == 0 || strcmp(flags, "c") == 0) return O_RDWR | O_CREAT;
    return strcmp(flags, "n") == 0 ? O_RDWR | O_CREAT | O_TRUNC : -1;
}

BUILTIN(module, open, POSITIONAL, "($module, filename, flags='r', mode=0o666, /)",
        "Open a database.\n\nflags are \"r\" to read it, \"w\" to write too, \"c\" to make it when there is none, \"n\" to begin a new one.")
{
    DbmState *state = PyModule_GetState(self);
    const char *flags = flags_of(arg[1]);
    int mode = 0666;
    PyObject *path = NULL, *result = NULL;
    if (!flags || (arg[2] && (mode = PyLong_AsInt(arg[2])) == -1 && PyErr_Occurred())) return NULL;
    if (!PyUnicode_FSConverter(arg[0], &path)) return NULL;
    int how = access_of(flags);
    if (how < 0) {
        PyErr_SetString(state->error, "arg 2 to open should be 'r', 'w', 'c', or 'n'");
        goto done;
    }
    Database *database = (Database *)state->type->tp_alloc(state->type, 0);
    if (!database) goto done;
    database->flags = how;
    database->count = -1;
    errno = 0;
    if ((database->file = dbm_open(PyBytes_AS_STRING(path), how, mode))) result = (PyObject *)database;
    else {
        PyErr_SetFromErrnoWithFilenameObject(state->error, arg[0]);
        Py_DECREF(database);
    }
done:
    Py_DECREF(path);
    return result;
}

static PyMethodDef dbm_methods[] = { METHOD(module, open), {0} };

static int dbm_exec(PyObject *module)
{
    DbmState *state = PyModule_GetState(module);
    state->type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &database_spec, NULL);
    state->error = state->type ? PyErr_NewException("_dbm.error", PyExc_OSError, NULL) : NULL;
    if (!state->error || PyModule_AddStringConstant(module, "library", "GNU gdbm") < 0) return -1;
    return PyModule_AddObjectRef(module, "error", state->error);
}

static int dbm_traverse(PyObject *module, visitproc visit, void *arg)
{
    DbmState *state = PyModule_GetState(module);
    Py_VISIT(state->error);
    Py_VISIT(state->type);
    return 0;
}

static int dbm_clear(PyObject *module)
{
    DbmState *state = PyModule_GetState(module);
    Py_CLEAR(state->error);
    Py_CLEAR(state->type);
    return 0;
}

static void dbm_free(void *module) { dbm_clear(module); }

static PyModuleDef_Slot dbm_slots[] = {
    { Py_mod_exec, dbm_exec }, { Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED }, { Py_mod_gil, Py_MOD_GIL_NOT_USED }, {0}
};

static PyModuleDef dbm_module = { PyModuleDef_HEAD_INIT, "_dbm", NULL, sizeof(DbmState), dbm_methods, dbm_slots, dbm_traverse, dbm_clear, dbm_free };

PyMODINIT_FUNC PyInit__dbm(void) { return PyModuleDef_Init(&dbm_module); }
