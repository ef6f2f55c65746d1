/* The module: its state, its exceptions, adapters and converters, and what the other files share.
 *
 * An adapter is found by (type of the object, protocol). After it, the protocol may adapt the object (__adapt__), and the
 * object may conform to the protocol (__conform__). */
#include "sqlite.h"

#if SQLITE_VERSION_NUMBER < 3034000
#error "SQLite 3.34 or newer is needed"
#endif

Sqlite *sqlite_state_of(PyObject *self)
{
    PyObject *module = PyType_GetModuleByDef(Py_TYPE(self), &sqlite_module);
    return module ? PyModule_GetState(module) : NULL;
}

PyTypeObject *sqlite_add_type(PyObject *module, PyType_Spec *spec, bool public)
{
    PyTypeObject *type = (PyTypeObject *)PyType_FromModuleAndSpec(module, spec, NULL);
    if (type && public && PyModule_AddType(module, type) < 0) Py_CLEAR(type);
    return type;
}

int sqlite_warn(const char *text) { return PyErr_WarnEx(PyExc_DeprecationWarning, text, 1); }

/* ---- errors -------------------------------------------------------------------------------------------------------------- */

void *sqlite_raise(Sqlite *state, Kind kind, const char *text)
{
    PyErr_SetString(state->exceptions[kind], text);
    return NULL;
}

static Kind kind_of_error(int code)
{
    switch (code) {
    case SQLITE_INTERNAL: case SQLITE_NOTFOUND: return INTERNAL_ERROR;
    case SQLITE_ERROR: case SQLITE_PERM: case SQLITE_ABORT: case SQLITE_BUSY: case SQLITE_LOCKED: case SQLITE_READONLY:
    case SQLITE_INTERRUPT: case SQLITE_IOERR: case SQLITE_FULL: case SQLITE_CANTOPEN: case SQLITE_PROTOCOL:
    case SQLITE_EMPTY: case SQLITE_SCHEMA: return OPERATIONAL_ERROR;
    case SQLITE_TOOBIG: return DATA_ERROR;
    case SQLITE_CONSTRAINT: case SQLITE_MISMATCH: return INTEGRITY_ERROR;
    case SQLITE_MISUSE: case SQLITE_RANGE: return INTERFACE_ERROR;
    default: return DATABASE_ERROR;
    }
}

static int set_number(PyObject *error, PyObject *name, long value)
{
    PyObject *number = PyLong_FromLong(value);
    int r = number ? PyObject_SetAttr(error, name, number) : -1;
    Py_XDECREF(number);
    return r;
}

COLD static void raise_with_code(Sqlite *state, PyObject *type, int code, PyObject *text)
{
    PyObject *error = text ? PyObject_CallOneArg(type, text) : NULL;
    PyObject *name = error ? PyUnicode_FromString(sqlite_error_name(code)) : NULL;
    if (name && set_number(error, state->sqlite_errorcode, code) == 0 && PyObject_SetAttr(error, state->sqlite_errorname, name) == 0)
        PyErr_SetObject(type, error);
    Py_XDECREF(name);
    Py_XDECREF(error);
}

COLD void sqlite_raise_library(Sqlite *state, sqlite3 *db)
{
    database_lock(db);
    int code = sqlite3_errcode(db), extended = sqlite3_extended_errcode(db);
    const char *message = code != SQLITE_OK && code != SQLITE_NOMEM ? sqlite3_errmsg(db) : NULL;
    PyObject *text = message ? PyUnicode_DecodeUTF8(message, (Py_ssize_t)strlen(message), "replace") : NULL;
    database_unlock(db);
    if (code == SQLITE_NOMEM) PyErr_NoMemory();
    else if (message) raise_with_code(state, state->exceptions[kind_of_error(code & 0xff)], extended, text);
    Py_XDECREF(text);
}

COLD void sqlite_raise_after_callbacks(Sqlite *state, sqlite3 *db)
{
    if (PyErr_Occurred()) {
        if (state->callback_tracebacks) PyErr_WriteUnraisable(NULL);
        else PyErr_Clear();
    }
    sqlite_raise_library(state, db);
}

/* ---- arguments ----------------------------------------------------------------------------------------------------------- */

const char *sqlite_text(PyObject *text, const char *function, const char *which)
{
    Py_ssize_t n;
    if (!PyUnicode_Check(text)) {
        PyErr_Format(PyExc_TypeError, "%s() %s must be str, not %.50s", function, which, text == Py_None ? "None" : Py_TYPE(text)->tp_name);
        return NULL;
    }
    const char *p = PyUnicode_AsUTF8AndSize(text, &n);
    if (p && strlen(p) != (size_t)n) {
        PyErr_SetString(PyExc_ValueError, "embedded null character");
        return NULL;
    }
    return p;
}

const char *sqlite_name(PyObject *text, const char *function) { return text ? sqlite_text(text, function, "argument 'name'") : "main"; }

int sqlite_number(PyObject *number, sqlite3_int64 *value)
{
    int overflow = 0;
    long long v = PyLong_AsLongLongAndOverflow(number, &overflow);
    *value = v;
    if (!overflow) return v == -1 && PyErr_Occurred() ? -1 : 0;
    PyErr_SetString(PyExc_OverflowError, "Python int too large to convert to SQLite INTEGER");
    return -1;
}

/* ---- adapters and converters --------------------------------------------------------------------------------------------- */

/* receiver.name(arg) where receiver has such an attribute. 1 with *result NEW, 0: it has none, or does not want to. */
static int adapt_by(PyObject *receiver, PyObject *name, PyObject *arg, PyObject **result)
{
    PyObject *method;
    int r = PyObject_GetOptionalAttr(receiver, name, &method);
    if (r <= 0) return r;
    *result = PyObject_CallOneArg(method, arg);
    Py_DECREF(method);
    if (!*result) {
        if (!PyErr_ExceptionMatches(PyExc_TypeError)) return -1;
        PyErr_Clear();
        return 0;
    }
    if (*result != Py_None) return 1;
    Py_CLEAR(*result);
    return 0;
}

PyObject *sqlite_adapt_object(Sqlite *state, PyObject *object, PyObject *protocol, PyObject *otherwise)
{
    PyObject *key = PyTuple_Pack(2, (PyObject *)Py_TYPE(object), protocol), *adapter, *result = NULL;
    int r = key ? PyDict_GetItemRef(state->adapters, key, &adapter) : -1;
    Py_XDECREF(key);
    if (r < 0) return NULL;
    if (r > 0) {
        result = PyObject_CallOneArg(adapter, object);
        Py_DECREF(adapter);
        return result;
    }
    /* Nothing can be added to the module's own protocol, nor to None and bytes. */
    bool plain = protocol == (PyObject *)state->protocol;
    if (!plain && (r = adapt_by(protocol, state->__adapt__, object, &result)) != 0) return result;
    if (!(plain && (object == Py_None || PyBytes_CheckExact(object))) &&
        (r = adapt_by(object, state->__conform__, protocol, &result)) != 0) return result;
    return otherwise ? Py_NewRef(otherwise) : sqlite_raise(state, PROGRAMMING_ERROR, "can't adapt");
}

BUILTIN(sqlite, adapt, POSITIONAL, "($module, obj, proto=PrepareProtocolType, alt=<unrepresentable>, /)", "Make of an object what a protocol wants.")
{
    Sqlite *state = PyModule_GetState(self);
    return sqlite_adapt_object(state, arg[0], arg[1] ? arg[1] : (PyObject *)state->protocol, arg[2]);
}

BUILTIN(sqlite, register_adapter, POSITIONAL, "($module, type, adapter, /)", "Set the function that makes SQLite values of objects of a type.")
{
    Sqlite *state = PyModule_GetState(self);
    PyObject *type = arg[0];
    if (type == (PyObject *)&PyLong_Type || type == (PyObject *)&PyFloat_Type || type == (PyObject *)&PyUnicode_Type || type == (PyObject *)&PyByteArray_Type)
        state->base_types_adapted = true;
    PyObject *key = PyTuple_Pack(2, type, (PyObject *)state->protocol);
    int r = key ? PyDict_SetItem(state->adapters, key, arg[1]) : -1;
    Py_XDECREF(key);
    if (r < 0) return NULL;
    Py_RETURN_NONE;
}

BUILTIN(sqlite, register_converter, POSITIONAL, "($module, typename, converter, /)", "Set the function that makes objects of SQLite values of a type.")
{
    Sqlite *state = PyModule_GetState(self);
    if (!PyUnicode_Check(arg[0]))
        return PyErr_Format(PyExc_TypeError, "register_converter() argument 1 must be str, not %.50s", arg[0] == Py_None ? "None" : Py_TYPE(arg[0])->tp_name);
    PyObject *name = PyObject_CallMethodNoArgs(arg[0], state->upper);
    int r = name ? PyDict_SetItem(state->converters, name, arg[1]) : -1;
    Py_XDECREF(name);
    if (r < 0) return NULL;
    Py_RETURN_NONE;
}

/* ---- functions ----------------------------------------------------------------------------------------------------------- */

/* Which argument is the class to make, if any; all of them are for the class. */
static PyObject *factory_argument(Sqlite *state, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    if (nargs > 5) return args[5];
    for (Py_ssize_t i = 0; kwnames && i < PyTuple_GET_SIZE(kwnames); i++)
        if (PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(kwnames, i), "factory") == 0) return args[nargs + i];
    return (PyObject *)state->connection;
}

BUILTIN_RAW(sqlite, connect,
            "($module, /, database, timeout=5.0, detect_types=0,\n        isolation_level='', check_same_thread=True,\n"
            "        factory=ConnectionType, cached_statements=128, uri=False, *,\n        autocommit=sqlite3.LEGACY_TRANSACTION_CONTROL)",
            "Open the database file 'database'; \":memory:\" is one in memory.\n\n"
            "Only the first argument should be given by position.")
{
    if (nargs > 1 && nargs <= 8 &&
        sqlite_warn("Passing more than 1 positional argument to sqlite3.connect() is deprecated. Parameters 'timeout', 'detect_types', "
                    "'isolation_level', 'check_same_thread', 'factory', 'cached_statements' and 'uri' will become keyword-only parameters in Python 3.15.") < 0)
        return NULL;
    return PyObject_Vectorcall(factory_argument(PyModule_GetState(self), args, nargs, kwnames), args, (size_t)nargs, kwnames);
}

BUILTIN(sqlite, complete_statement, KEYWORDS, "($module, /, statement)", "Whether a text ends where an SQL statement does.")
{
    const char *text = sqlite_text(arg[0], "complete_statement", "argument 'statement'");
    if (!text) return NULL;
    return PyBool_FromLong(sqlite3_complete(text));
}

BUILTIN_O(sqlite, enable_callback_tracebacks, "($module, enable, /)", "Set whether exceptions in callbacks are reported.")
{
    int enable = PyLong_AsInt(arg);
    if (enable == -1 && PyErr_Occurred()) return NULL;
    ((Sqlite *)PyModule_GetState(self))->callback_tracebacks = enable != 0;
    Py_RETURN_NONE;
}

static PyMethodDef sqlite_methods[] = {
    METHOD(sqlite, adapt), METHOD(sqlite, complete_statement), METHOD(sqlite, connect), METHOD(sqlite, enable_callback_tracebacks),
    METHOD(sqlite, register_adapter), METHOD(sqlite, register_converter), { 0 }
};

/* ---- PrepareProtocol ----------------------------------------------------------------------------------------------------- */

static int protocol_init(PyObject *self, PyObject *args, PyObject *kwargs) { return 0; }

static int protocol_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    return 0;
}

static void protocol_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyType_Slot protocol_slots[] = {
    { Py_tp_dealloc, protocol_dealloc }, { Py_tp_init, protocol_init }, { Py_tp_traverse, protocol_traverse },
    { Py_tp_doc, (void *)"The protocol that values for SQLite are adapted to (in the manner of PEP 246)." }, { 0, NULL }
};
static PyType_Spec protocol_spec = {
    "sqlite3.PrepareProtocol", sizeof(PyObject), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE, protocol_slots
};

/* ---- the module ---------------------------------------------------------------------------------------------------------- */

static int add_exceptions(PyObject *module, Sqlite *state)
{
    static const struct { const char *name; int base; } made[] = {
        [WARNING] = { "sqlite3.Warning", -1 }, [ERROR] = { "sqlite3.Error", -1 },
        [INTERFACE_ERROR] = { "sqlite3.InterfaceError", ERROR }, [DATABASE_ERROR] = { "sqlite3.DatabaseError", ERROR },
        [DATA_ERROR] = { "sqlite3.DataError", DATABASE_ERROR }, [OPERATIONAL_ERROR] = { "sqlite3.OperationalError", DATABASE_ERROR },
        [INTEGRITY_ERROR] = { "sqlite3.IntegrityError", DATABASE_ERROR }, [INTERNAL_ERROR] = { "sqlite3.InternalError", DATABASE_ERROR },
        [PROGRAMMING_ERROR] = { "sqlite3.ProgrammingError", DATABASE_ERROR }, [NOT_SUPPORTED_ERROR] = { "sqlite3.NotSupportedError", DATABASE_ERROR },
    };
    for (int i = 0; i < EXCEPTION_COUNT; i++) {
        PyObject *base = made[i].base < 0 ? PyExc_Exception : state->exceptions[made[i].base];
        if (!(state->exceptions[i] = PyErr_NewException(made[i].name, base, NULL))) return -1;
        if (PyModule_AddType(module, (PyTypeObject *)state->exceptions[i]) < 0) return -1;
    }
    return 0;
}

static int add_strings(Sqlite *state)
{
#define S(text) if (!(state->text = PyUnicode_InternFromString(#text))) return -1;
    EACH_STRING(S)
#undef S
    return 0;
}

/* How the library guards itself, in the numbers of the DB-API. */
static int add_threadsafety(PyObject *module)
{
    int mode = sqlite3_threadsafe(), level = mode == 0 ? 0 : mode == 1 ? 3 : mode == 2 ? 1 : -1;
    if (level >= 0) return PyModule_AddIntConstant(module, "threadsafety", level);
    PyErr_Format(((Sqlite *)PyModule_GetState(module))->exceptions[INTERFACE_ERROR],
                 "Unable to interpret SQLite threadsafety mode. Got %d, expected 0, 1, or 2", mode);
    return -1;
}

static int sqlite_exec(PyObject *module)
{
    Sqlite *state = PyModule_GetState(module);
    int rc = sqlite3_initialize();
    if (rc != SQLITE_OK) {
        PyErr_SetString(PyExc_ImportError, sqlite3_errstr(rc));
        return -1;
    }
    if (!(state->adapters = PyDict_New()) || !(state->converters = PyDict_New()) || add_strings(state) < 0) return -1;
    PyObject *functools = PyImport_ImportModule("functools");
    state->lru_cache = functools ? PyObject_GetAttrString(functools, "lru_cache") : NULL;
    Py_XDECREF(functools);
    if (!state->lru_cache) return -1;
    if (blob_add_type(module, state) < 0 || connection_add_type(module, state) < 0 || cursor_add_type(module, state) < 0 ||
        !(state->protocol = sqlite_add_type(module, &protocol_spec, true)) || row_add_type(module, state) < 0 ||
        statement_add_type(module, state) < 0 || add_exceptions(module, state) < 0 || sqlite_add_constants(module) < 0) return -1;
    if (PyModule_AddStringConstant(module, "_deprecated_version", "2.6.0") < 0 ||
        PyModule_AddStringConstant(module, "sqlite_version", sqlite3_libversion()) < 0 || add_threadsafety(module) < 0) return -1;
    return PyModule_AddObjectRef(module, "adapters", state->adapters) < 0 || PyModule_AddObjectRef(module, "converters", state->converters) < 0 ? -1 : 0;
}

static int sqlite_traverse(PyObject *module, visitproc visit, void *arg)
{
    Sqlite *state = PyModule_GetState(module);
    Py_VISIT(state->connection);
    Py_VISIT(state->cursor);
    Py_VISIT(state->row);
    Py_VISIT(state->blob);
    Py_VISIT(state->statement);
    Py_VISIT(state->protocol);
    Py_VISIT(state->adapters);
    Py_VISIT(state->converters);
    Py_VISIT(state->lru_cache);
    for (int i = 0; i < EXCEPTION_COUNT; i++) Py_VISIT(state->exceptions[i]);
    return 0;
}

static int sqlite_clear(PyObject *module)
{
    Sqlite *state = PyModule_GetState(module);
    Py_CLEAR(state->connection);
    Py_CLEAR(state->cursor);
    Py_CLEAR(state->row);
    Py_CLEAR(state->blob);
    Py_CLEAR(state->statement);
    Py_CLEAR(state->protocol);
    Py_CLEAR(state->adapters);
    Py_CLEAR(state->converters);
    Py_CLEAR(state->lru_cache);
    return 0;
}

/* Exceptions and names have no way back to the module: they stay to the end, for objects that outlive it in a cycle. */
static void sqlite_free(void *module)
{
    Sqlite *state = PyModule_GetState(module);
    sqlite_clear(module);
    for (int i = 0; i < EXCEPTION_COUNT; i++) Py_CLEAR(state->exceptions[i]);
#define S(text) Py_CLEAR(state->text);
    EACH_STRING(S)
#undef S
    PyMem_Free(state->connection_methods);
    state->connection_methods = NULL;
}

static PyModuleDef_Slot sqlite_slots[] = {
    { Py_mod_exec, sqlite_exec }, { Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED }, { 0, NULL }
};
PyModuleDef sqlite_module = {
    PyModuleDef_HEAD_INIT, "_sqlite3", NULL, sizeof(Sqlite), sqlite_methods, sqlite_slots, sqlite_traverse, sqlite_clear, sqlite_free,
};

PyMODINIT_FUNC PyInit__sqlite3(void) { return PyModuleDef_Init(&sqlite_module); }
