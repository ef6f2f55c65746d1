/* The _gdbm module: GNU's databases.
 *
 * A closed database has no file; every method looks first. What the library returns is malloc'ed and ours to free. */
#include "capi/args.h"

#include <errno.h>
#include <fcntl.h>
#include <gdbm.h>
#include <limits.h>
#include <stdlib.h>

#include "shared/databases.h"

typedef struct GdbmState { PyObject *error; PyTypeObject *type; } GdbmState;

typedef struct Database {
    PyObject_HEAD
    Py_ssize_t count;                         /* of keys, -1 when not known */
    GDBM_FILE file;
} Database;

#define DATABASE(o) ((Database *)(o))

static PyModuleDef gdbm_module;

static GdbmState *state_of(PyObject *database) { return PyModule_GetState(PyType_GetModuleByDef(Py_TYPE(database), &gdbm_module)); }

static int check_open(PyObject *self)
{
    if (DATABASE(self)->file) return 0;
    PyErr_SetString(state_of(self)->error, "GDBM object has already been closed");
    return -1;
}

/* What went wrong, as the system says it, or else the library. Returns -1. */
static int set_error(PyObject *error, PyObject *filename)
{
    if (errno) PyErr_SetFromErrnoWithFilenameObject(error, filename);
    else PyErr_SetString(error, gdbm_strerror(gdbm_errno));
    return -1;
}

/* Takes over d. */
static PyObject *bytes_of(datum d)
{
    PyObject *bytes = PyBytes_FromStringAndSize(d.dptr, d.dsize);
    free(d.dptr);
    return bytes;
}

/* The bytes, or None where there is no datum. */
static PyObject *bytes_or_none(datum d)
{
    if (!d.dptr) Py_RETURN_NONE;
    return bytes_of(d);
}

static PyObject *database_subscript(PyObject *self, PyObject *key)
{
    datum k;
    if (read_datum(key, &k, NULL) < 0 || check_open(self) < 0) return NULL;
    datum value = gdbm_fetch(DATABASE(self)->file, k);
    if (value.dptr) return bytes_of(value);
    PyErr_SetObject(PyExc_KeyError, key);
    return NULL;
}

static int database_store(PyObject *self, PyObject *key, PyObject *value)
{
    datum k, v;
    if (read_datum(key, &k, "gdbm mappings have bytes or string indices only") < 0 ||
        read_datum(value, &v, "gdbm mappings have bytes or string elements only") < 0 || check_open(self) < 0) return -1;
    errno = 0;
    DATABASE(self)->count = -1;
    return gdbm_store(DATABASE(self)->file, k, v, GDBM_REPLACE) < 0 ? set_error(state_of(self)->error, NULL) : 0;
}

static int database_assign(PyObject *self, PyObject *key, PyObject *value)
{
    datum k;
    if (value) return database_store(self, key, value);
    if (read_datum(key, &k, "gdbm mappings have bytes or string indices only") < 0 || check_open(self) < 0) return -1;
    DATABASE(self)->count = -1;
    if (gdbm_delete(DATABASE(self)->file, k) >= 0) return 0;
    if (gdbm_errno == GDBM_ITEM_NOT_FOUND) PyErr_SetObject(PyExc_KeyError, key);
    else PyErr_SetString(state_of(self)->error, gdbm_strerror(gdbm_errno));
    return -1;
}

static Py_ssize_t database_length(PyObject *self)
{
    Database *database = DATABASE(self);
    if (check_open(self) < 0) return -1;
    if (database->count < 0) {
        gdbm_count_t count;
        errno = 0;
        if (gdbm_count(database->file, &count) < 0) return set_error(state_of(self)->error, NULL);
        if (count > PY_SSIZE_T_MAX) {
            PyErr_SetString(PyExc_OverflowError, "size does not fit in an int");
            return -1;
        }
        database->count = (Py_ssize_t)count;
    }
    return database->count;
}

static int database_bool(PyObject *self)
{
    if (check_open(self) < 0) return -1;
    datum key = gdbm_firstkey(DATABASE(self)->file);
    free(key.dptr);
    return key.dptr != NULL;
}

static int database_contains(PyObject *self, PyObject *key)
{
    datum k;
    if (check_open(self) < 0) return -1;
    if (!PyUnicode_Check(key) && !PyBytes_Check(key)) {
        PyErr_Format(PyExc_TypeError, "gdbm key must be bytes or string, not %.100s", Py_TYPE(key)->tp_name);
        return -1;
    }
    return read_datum(key, &k, NULL) < 0 ? -1 : gdbm_exists(DATABASE(self)->file, k);
}

static int close_file(PyObject *self)
{
    GDBM_FILE file = DATABASE(self)->file;
    DATABASE(self)->file = NULL;
    errno = 0;
    return file ? gdbm_close(file) : 0;
}

BUILTIN_NOARGS(database, close, "($self, /)", "Close the database.")
{
    if (close_file(self) != 0 && set_error(state_of(self)->error, NULL) < 0) return NULL;
    Py_RETURN_NONE;
}

BUILTIN_RAW(database, keys, "($self, /)", "Return a list of all keys.")
{
    if (refuse_arguments("keys", nargs, kwnames) < 0 || check_open(self) < 0) return NULL;
    PyObject *list = PyList_New(0);
    GDBM_FILE file = DATABASE(self)->file;
    datum key = gdbm_firstkey(file);
    while (list && key.dptr) {
        PyObject *bytes = PyBytes_FromStringAndSize(key.dptr, key.dsize);
        if (!bytes || PyList_Append(list, bytes) < 0) Py_CLEAR(list);
        Py_XDECREF(bytes);
        datum next = gdbm_nextkey(file, key);
        free(key.dptr);
        key = next;
    }
    free(key.dptr);
    return list;
}

BUILTIN_RAW(database, firstkey, "($self, /)", "Return the first key, for nextkey(), or None.")
{
    if (refuse_arguments("firstkey", nargs, kwnames) < 0 || check_open(self) < 0) return NULL;
    return bytes_or_none(gdbm_firstkey(DATABASE(self)->file));
}

BUILTIN(database, nextkey, KEYWORDS, "($self, key, /)", "Return the key after another one, or None.")
{
    datum k;
    if (read_datum(arg[0], &k, NULL) < 0 || check_open(self) < 0) return NULL;
    return bytes_or_none(gdbm_nextkey(DATABASE(self)->file, k));
}

BUILTIN_RAW(database, reorganize, "($self, /)", "Give back the room that deleted items left.")
{
    if (refuse_arguments("reorganize", nargs, kwnames) < 0 || check_open(self) < 0) return NULL;
    errno = 0;
    if (gdbm_reorganize(DATABASE(self)->file) < 0 && set_error(state_of(self)->error, NULL) < 0) return NULL;
    Py_RETURN_NONE;
}

BUILTIN_RAW(database, sync, "($self, /)", "Write what has not reached the disk.")
{
    if (refuse_arguments("sync", nargs, kwnames) < 0 || check_open(self) < 0) return NULL;
    gdbm_sync(DATABASE(self)->file);
    Py_RETURN_NONE;
}

BUILTIN_RAW(database, clear, "($self, /)", "Remove all items.")
{
    if (refuse_arguments("clear", nargs, kwnames) < 0 || check_open(self) < 0) return NULL;
    GDBM_FILE file = DATABASE(self)->file;
    DATABASE(self)->count = -1;
    for (datum key = gdbm_firstkey(file); key.dptr; key = gdbm_firstkey(file)) {
        int status = gdbm_delete(file, key);
        free(key.dptr);
        if (status >= 0) continue;
        PyErr_SetString(state_of(self)->error, "cannot delete item from database");
        return NULL;
    }
    DATABASE(self)->count = 0;
    Py_RETURN_NONE;
}

BUILTIN(database, get, POSITIONAL, "($self, key, default=None, /)", "Return the value of a key, or default.")
{
    PyObject *value = database_subscript(self, arg[0]);
    if (value || !PyErr_ExceptionMatches(PyExc_KeyError)) return value;
    PyErr_Clear();
    return Py_NewRef(arg[1] ? arg[1] : Py_None);
}

BUILTIN(database, setdefault, POSITIONAL, "($self, key, default=None, /)", "Return the value of a key, which becomes default when there is none.")
{
    PyObject *value = database_subscript(self, arg[0]);
    if (value || !PyErr_ExceptionMatches(PyExc_KeyError)) return value;
    PyErr_Clear();
    value = arg[1] ? Py_NewRef(arg[1]) : PyBytes_FromStringAndSize(NULL, 0);
    if (value && database_store(self, arg[0], value) < 0) Py_CLEAR(value);
    return value;
}

BUILTIN_NOARGS(database, __enter__, "($self, /)", "") { return Py_NewRef(self); }

static PyObject *database_exit(PyObject *self, PyObject *args) { return database_close(self, NULL); }

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
    METHOD(database, close), METHOD(database, reorganize), METHOD(database, sync), METHOD(database, keys), METHOD(database, firstkey),
    METHOD(database, nextkey), METHOD(database, get), METHOD(database, setdefault), METHOD(database, clear),
    METHOD_UNDOCUMENTED(database, __enter__), { "__exit__", database_exit, METH_VARARGS, NULL }, {0}
};

static PyType_Slot database_slots[] = {
    { Py_tp_dealloc, database_dealloc }, { Py_tp_traverse, database_traverse }, { Py_tp_methods, database_methods },
    { Py_mp_length, database_length }, { Py_mp_subscript, database_subscript }, { Py_mp_ass_subscript, database_assign },
    { Py_sq_contains, database_contains }, { Py_nb_bool, database_bool }, {0}
};

static PyType_Spec database_spec = {
    "_gdbm.gdbm", sizeof(Database), 0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE, database_slots
};

/* What flags ask the library for; -1 with an exception. */
static int access_of(PyObject *error, const char *flags)
{
    int how;
    switch (*flags) {
    case 'r': how = GDBM_READER; break;
    case 'w': how = GDBM_WRITER; break;
    case 'c': how = GDBM_WRCREAT; break;
    case 'n': how = GDBM_NEWDB; break;
    default: PyErr_SetString(error, "First flag must be one of 'r', 'w', 'c' or 'n'"); return -1;
    }
    while (*++flags) {
        switch (*flags) {
        case 'f': how |= GDBM_FAST; break;
        case 's': how |= GDBM_SYNC; break;
        case 'u': how |= GDBM_NOLOCK; break;
        default: PyErr_Format(error, "Flag '%c' is not supported.", (unsigned char)*flags); return -1;
        }
    }
    return how;
}

BUILTIN(module, open, POSITIONAL, "($module, filename, flags='r', mode=0o666, /)",
        "Open a database.\n\nflags are \"r\" to read it, \"w\" to write too, \"c\" to make it when there is none, \"n\" to begin a new one,\n"
        "followed by \"f\" to write late, \"s\" to write at once, \"u\" not to lock the file.")
{
    GdbmState *state = PyModule_GetState(self);
    const char *flags = flags_of(arg[1]);
    int mode = 0666;
    PyObject *path = NULL, *result = NULL;
    if (!flags || (arg[2] && (mode = PyLong_AsInt(arg[2])) == -1 && PyErr_Occurred())) return NULL;
    int how = access_of(state->error, flags);
    if (how < 0 || !PyUnicode_FSConverter(arg[0], &path)) return NULL;
    Database *database = (Database *)state->type->tp_alloc(state->type, 0);
    if (database) {
        database->count = -1;
        errno = 0;
        if ((database->file = gdbm_open(PyBytes_AS_STRING(path), 0, how, mode, NULL))) result = (PyObject *)database;
        else {
            set_error(state->error, arg[0]);
            Py_DECREF(database);
        }
    }
    Py_DECREF(path);
    return result;
}

static PyMethodDef gdbm_methods[] = { METHOD(module, open), {0} };

static int gdbm_exec(PyObject *module)
{
    GdbmState *state = PyModule_GetState(module);
    state->type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &database_spec, NULL);
    state->error = state->type ? PyErr_NewException("_gdbm.error", PyExc_OSError, NULL) : NULL;
    if (!state->error || PyModule_AddObjectRef(module, "error", state->error) < 0 || PyModule_AddStringConstant(module, "open_flags", "rwcnfsu") < 0) return -1;
    PyObject *version = Py_BuildValue("iii", GDBM_VERSION_MAJOR, GDBM_VERSION_MINOR, GDBM_VERSION_PATCH);
    int status = PyModule_AddObjectRef(module, "_GDBM_VERSION", version);
    Py_XDECREF(version);
    return status;
}

static int gdbm_traverse(PyObject *module, visitproc visit, void *arg)
{
    GdbmState *state = PyModule_GetState(module);
    Py_VISIT(state->error);
    Py_VISIT(state->type);
    return 0;
}

static int gdbm_clear(PyObject *module)
{
    GdbmState *state = PyModule_GetState(module);
    Py_CLEAR(state->error);
    Py_CLEAR(state->type);
    return 0;
}

static void gdbm_free(void *module) { gdbm_clear(module); }

static PyModuleDef_Slot gdbm_slots[] = {
    { Py_mod_exec, gdbm_exec }, { Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED }, { Py_mod_gil, Py_MOD_GIL_NOT_USED }, {0}
};

static PyModuleDef gdbm_module = { PyModuleDef_HEAD_INIT, "_gdbm", NULL, sizeof(GdbmState), gdbm_methods, gdbm_slots, gdbm_traverse, gdbm_clear, gdbm_free };

PyMODINIT_FUNC PyInit__gdbm(void) { return PyModuleDef_Init(&gdbm_module); }
