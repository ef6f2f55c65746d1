/* What SQLite calls back: functions, aggregates, window functions, collations, the authorizer, progress and trace.
 *
 * A callback comes on the thread that called the library, which let the GIL go, and takes it again. It may do anything:
 * redefine itself, close the connection, run statements. So it holds its hook and its callable. What it raises is told or
 * forgotten (enable_callback_tracebacks) and the statement fails with an error of the library's; only what a collation
 * raises stays, and is raised by the method that ran the statement. */
#include "sqlite.h"

/* ---- hooks --------------------------------------------------------------------------------------------------------------- */

static Hook *hook_new(Connection *cx, PyObject *callable)
{
    Hook *hook = PyMem_Malloc(sizeof *hook);
    if (!hook) return (Hook *)PyErr_NoMemory();
    *hook = (Hook){ .callable = Py_NewRef(callable), .state = cx->state, .holders = 1, .link = &cx->hooks, .next = cx->hooks };
    if (hook->next) hook->next->link = &hook->next;
    cx->hooks = hook;
    return hook;
}

static void hook_unlink(Hook *hook)
{
    if (!hook->link) return;
    *hook->link = hook->next;
    if (hook->next) hook->next->link = hook->link;
    hook->link = NULL;
    hook->next = NULL;
}

void hook_drop(Hook *hook)
{
    if (!hook || --hook->holders) return;
    hook_unlink(hook);
    Py_XDECREF(hook->callable);
    PyMem_Free(hook);
}

void hooks_silence(Connection *cx, sqlite3 *db)
{
    Hook *own[] = { cx->trace, cx->progress, cx->authorizer };
    cx->trace = cx->progress = cx->authorizer = NULL;
    if (!own[0] && !own[1] && !own[2]) return;
    database_lock(db);
    sqlite3_trace_v2(db, 0, NULL, NULL);
    sqlite3_progress_handler(db, 0, NULL, NULL);
    (void)sqlite3_set_authorizer(db, NULL, NULL);
    database_unlock(db);
    for (size_t i = 0; i < ARRAY_LENGTH(own); i++) hook_drop(own[i]);
}

/* The library lets go of a function or collation. */
static void destroy_hook(void *data)
{
    PyGILState_STATE gil = PyGILState_Ensure();
    PyObject *exc = PyErr_GetRaisedException();
    hook_drop(data);
    PyErr_SetRaisedException(exc);
    PyGILState_Release(gil);
}

/* ---- in and out ---------------------------------------------------------------------------------------------------------- */

typedef struct Entry {
    PyGILState_STATE gil;
    PyObject *pending;                        /* an exception that was set before: of a collation, most often */
    Hook *hook;
    PyObject *callable;                       /* NULL: the collector has it */
} Entry;

static Entry callback_enter(Hook *hook)
{
    Entry e = { .gil = PyGILState_Ensure() };
    e.pending = PyErr_GetRaisedException();
    hook->holders++;
    e.hook = hook;
    e.callable = Py_XNewRef(hook->callable);
    return e;
}

static void callback_leave(Entry *e)
{
    hook_drop(e->hook);
    Py_XDECREF(e->callable);
    if (e->pending) PyErr_SetRaisedException(e->pending);
    PyGILState_Release(e->gil);
}

COLD static void report(Entry *e)
{
    if (e->hook->state->callback_tracebacks) PyErr_WriteUnraisable(e->callable);
    else PyErr_Clear();
}

/* Makes the statement fail with a text, or with what the exception stands for. */
COLD static void fail(Entry *e, sqlite3_context *context, const char *text)
{
    if (PyErr_ExceptionMatches(PyExc_MemoryError)) sqlite3_result_error_nomem(context);
    else if (PyErr_ExceptionMatches(PyExc_OverflowError)) sqlite3_result_error_toobig(context);
    else sqlite3_result_error(context, text, -1);
    report(e);
}

/* ---- values -------------------------------------------------------------------------------------------------------------- */

static PyObject *argument_value(sqlite3_value *value)
{
    switch (sqlite3_value_type(value)) {
    case SQLITE_INTEGER: return PyLong_FromLongLong(sqlite3_value_int64(value));
    case SQLITE_FLOAT: return PyFloat_FromDouble(sqlite3_value_double(value));
    case SQLITE_TEXT: {
        const char *text = (const char *)sqlite3_value_text(value);
        return text ? PyUnicode_FromStringAndSize(text, sqlite3_value_bytes(value)) : PyErr_NoMemory();
    }
    case SQLITE_BLOB: {
        const void *data = sqlite3_value_blob(value);
        int n = sqlite3_value_bytes(value);
        return data || !n ? PyBytes_FromStringAndSize(data, n) : PyErr_NoMemory();
    }
    default: return Py_NewRef(Py_None);
    }
}

/* callable(*values). *made says whether the arguments could be made. NEW. */
static PyObject *call_with_values(PyObject *callable, int n, sqlite3_value **values, bool *made)
{
    PyObject *few[9], **args = few, *result = NULL;
    int have = 0;
    *made = false;
    if (n > 8 && !(args = PyMem_New(PyObject *, (size_t)n + 1))) return PyErr_NoMemory();
    args++;                                   /* room for a method's self */
    while (have < n && (args[have] = argument_value(values[have]))) have++;
    if (have == n) {
        *made = true;
        result = PyObject_Vectorcall(callable, args, (size_t)n | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
    }
    while (have) Py_DECREF(args[--have]);
    if (n > 8) PyMem_Free(args - 1);
    return result;
}

static int set_text_result(sqlite3_context *context, PyObject *text)
{
    Py_ssize_t n;
    const char *p = PyUnicode_AsUTF8AndSize(text, &n);
    if (!p) return -1;
    if (n > INT_MAX) {
        PyErr_SetString(PyExc_OverflowError, "string is longer than INT_MAX bytes");
        return -1;
    }
    sqlite3_result_text(context, p, (int)n, SQLITE_TRANSIENT);
    return 0;
}

static int set_buffer_result(sqlite3_context *context, PyObject *object)
{
    Py_buffer view;
    if (PyObject_GetBuffer(object, &view, PyBUF_SIMPLE) < 0) return -1;
    bool fits = view.len <= INT_MAX;
    if (fits) sqlite3_result_blob(context, view.buf, (int)view.len, SQLITE_TRANSIENT);
    else PyErr_SetString(PyExc_OverflowError, "BLOB longer than INT_MAX bytes");
    PyBuffer_Release(&view);
    return fits ? 0 : -1;
}

/* What a function returned (STOLEN; NULL after an exception). -1 with an exception. */
static int set_result(Sqlite *state, sqlite3_context *context, PyObject *value)
{
    int r = 0;
    sqlite3_int64 number;
    if (!value) return -1;
    if (value == Py_None) sqlite3_result_null(context);
    else if (PyLong_Check(value)) {
        if ((r = sqlite_number(value, &number)) == 0) sqlite3_result_int64(context, number);
    }
    else if (PyFloat_Check(value)) sqlite3_result_double(context, PyFloat_AS_DOUBLE(value));
    else if (PyUnicode_Check(value)) r = set_text_result(context, value);
    else if (PyObject_CheckBuffer(value)) r = set_buffer_result(context, value);
    else {
        PyErr_Format(state->exceptions[PROGRAMMING_ERROR], "User-defined functions cannot return '%s' values to SQLite", Py_TYPE(value)->tp_name);
        r = -1;
    }
    Py_DECREF(value);
    return r;
}

/* ---- functions ----------------------------------------------------------------------------------------------------------- */

static void function_callback(sqlite3_context *context, int n, sqlite3_value **values)
{
    Entry e = callback_enter(sqlite3_user_data(context));
    bool made;
    PyObject *result = e.callable ? call_with_values(e.callable, n, values, &made)
                                  : sqlite_raise(e.hook->state, PROGRAMMING_ERROR, "the function is being deleted");
    if (set_result(e.hook->state, context, result) < 0) fail(&e, context, "user-defined function raised exception");
    callback_leave(&e);
}

/* ---- aggregates ---------------------------------------------------------------------------------------------------------- */

/* A method of the aggregate's object called with values, without a result. The texts: what to fail with when there is no
 * such method, when it raises, and when its arguments cannot be made (NULL: as when it raises). */
static void call_method(Entry *e, sqlite3_context *context, PyObject *object, PyObject *name, int n, sqlite3_value **values,
                        const char *missing, const char *raised, const char *unmade)
{
    bool made;
    PyObject *method = PyObject_GetAttr(object, name);
    if (!method) {
        fail(e, context, missing);
        return;
    }
    PyObject *result = call_with_values(method, n, values, &made);
    if (!result) fail(e, context, made || !unmade ? raised : unmade);
    Py_XDECREF(result);
    Py_DECREF(method);
}

static void step_callback(sqlite3_context *context, int n, sqlite3_value **values)
{
    Entry e = callback_enter(sqlite3_user_data(context));
    PyObject **place = sqlite3_aggregate_context(context, sizeof(PyObject *));
    if (!place) {
        PyErr_NoMemory();
        fail(&e, context, "unable to allocate SQLite aggregate context");
        goto done;
    }
    if (!*place) {
        *place = e.callable ? PyObject_CallNoArgs(e.callable) : sqlite_raise(e.hook->state, PROGRAMMING_ERROR, "the aggregate is being deleted");
        if (!*place) {
            fail(&e, context, "user-defined aggregate's '__init__' method raised error");
            goto done;
        }
    }
    PyObject *object = Py_NewRef(*place);
    call_method(&e, context, object, e.hook->state->step, n, values, "user-defined aggregate's 'step' method not defined",
                "user-defined aggregate's 'step' method raised error", NULL);
    Py_DECREF(object);
done:
    callback_leave(&e);
}

/* Called also for a query that failed, to clean up. */
static void final_callback(sqlite3_context *context)
{
    Entry e = callback_enter(sqlite3_user_data(context));
    PyObject **place = sqlite3_aggregate_context(context, 0), *object = place ? *place : NULL;
    if (object) {                             /* else no row was seen: NULL, or __init__ failed */
        *place = NULL;
        PyObject *result = PyObject_CallMethodNoArgs(object, e.hook->state->finalize);
        Py_DECREF(object);
        if (set_result(e.hook->state, context, result) < 0)
            fail(&e, context, PyErr_ExceptionMatches(PyExc_AttributeError) ? "user-defined aggregate's 'finalize' method not defined"
                                                                             : "user-defined aggregate's 'finalize' method raised error");
    }
    callback_leave(&e);
}

static void inverse_callback(sqlite3_context *context, int n, sqlite3_value **values)
{
    Entry e = callback_enter(sqlite3_user_data(context));
    PyObject **place = sqlite3_aggregate_context(context, 0), *object = place ? Py_XNewRef(*place) : NULL;
    if (object)
        call_method(&e, context, object, e.hook->state->inverse, n, values, "user-defined aggregate's 'inverse' method not defined",
                    "user-defined aggregate's 'inverse' method raised error", "unable to build arguments for user-defined aggregate's 'inverse' method");
    Py_XDECREF(object);
    callback_leave(&e);
}

static void value_callback(sqlite3_context *context)
{
    Entry e = callback_enter(sqlite3_user_data(context));
    PyObject **place = sqlite3_aggregate_context(context, 0), *object = place ? Py_XNewRef(*place) : NULL;
    if (object) {
        PyObject *result = PyObject_CallMethodNoArgs(object, e.hook->state->value);
        if (!result)
            fail(&e, context, PyErr_ExceptionMatches(PyExc_AttributeError) ? "user-defined aggregate's 'value' method not defined"
                                                                             : "user-defined aggregate's 'value' method raised error");
        else if (set_result(e.hook->state, context, result) < 0) fail(&e, context, "unable to set result from user-defined aggregate's 'value' method");
    }
    Py_XDECREF(object);
    callback_leave(&e);
}

/* ---- collations, authorizer, progress, trace ----------------------------------------------------------------------------- */

/* After an exception nothing is compared any more. */
static int collation_callback(void *data, int n1, const void *text1, int n2, const void *text2)
{
    Entry e = callback_enter(data);
    int order = 0;
    if (e.pending || !e.callable) goto done;
    PyObject *args[2] = { PyUnicode_FromStringAndSize(text1, n1), NULL }, *result = NULL;
    if (args[0] && (args[1] = PyUnicode_FromStringAndSize(text2, n2))) result = PyObject_Vectorcall(e.callable, args, 2, NULL);
    if (result) {
        int overflow;
        long number = PyLong_AsLongAndOverflow(result, &overflow);
        if (number == -1 && PyErr_Occurred()) PyErr_Clear();
        else order = overflow ? overflow : (number > 0) - (number < 0);
    }
    Py_XDECREF(result);
    Py_XDECREF(args[1]);
    Py_XDECREF(args[0]);
done:
    callback_leave(&e);
    return order;
}

static int authorizer_callback(void *data, int action, const char *first, const char *second, const char *database, const char *source)
{
    Entry e = callback_enter(data);
    int answer = SQLITE_DENY;
    PyObject *result = e.callable ? PyObject_CallFunction(e.callable, "issss", action, first, second, database, source) : NULL;
    if (result && PyLong_Check(result)) {
        answer = PyLong_AsInt(result);
        if (answer == -1 && PyErr_Occurred()) answer = SQLITE_DENY;
    }
    Py_XDECREF(result);
    if (PyErr_Occurred()) report(&e);
    callback_leave(&e);
    return answer;
}

static int progress_callback(void *data)
{
    Entry e = callback_enter(data);
    PyObject *result = e.callable ? PyObject_CallNoArgs(e.callable) : NULL;
    int stop = result ? PyObject_IsTrue(result) : -1;
    Py_XDECREF(result);
    if (PyErr_Occurred()) report(&e);
    callback_leave(&e);
    return stop;
}

/* The statement with the values of its parameters in it; without when that is too long. */
static PyObject *traced_text(Entry *e, sqlite3_stmt *st, const char *sql)
{
    char *expanded = sqlite3_expanded_sql(st);
    if (expanded) {
        PyObject *text = PyUnicode_FromString(expanded);
        sqlite3_free(expanded);
        return text;
    }
    if (sqlite3_errcode(sqlite3_db_handle(st)) == SQLITE_NOMEM) return PyErr_NoMemory();
    sqlite_raise(e->hook->state, DATA_ERROR, "Expanded SQL string exceeds the maximum string length");
    report(e);
    return PyUnicode_FromString(sql);
}

static int trace_callback(unsigned type, void *data, void *statement, void *sql)
{
    if (type != SQLITE_TRACE_STMT) return 0;
    Entry e = callback_enter(data);
    PyObject *text = e.callable ? traced_text(&e, statement, sql) : NULL;
    PyObject *result = text ? PyObject_CallOneArg(e.callable, text) : NULL;
    Py_XDECREF(result);
    Py_XDECREF(text);
    if (PyErr_Occurred()) report(&e);
    callback_leave(&e);
    return 0;
}

/* ---- setting them -------------------------------------------------------------------------------------------------------- */

SIGNATURE(create_function_signature, "create_function", KEYWORDS, "($self, /, name, narg, func, *, deterministic=False)");
SIGNATURE(create_aggregate_signature, "create_aggregate", KEYWORDS, "($self, /, name, n_arg, aggregate_class)");
SIGNATURE(set_authorizer_signature, "set_authorizer", KEYWORDS, "($self, /, authorizer_callback)");
SIGNATURE(set_progress_handler_signature, "set_progress_handler", KEYWORDS, "($self, /, progress_handler, n)");
SIGNATURE(set_trace_callback_signature, "set_trace_callback", KEYWORDS, "($self, /, trace_callback)");

/* The library's create_window_function, which makes the others, too. None: the function is taken away. Its result code, or -1
 * with an exception. When it fails it has destroyed the hook. */
static int create(Connection *cx, const char *name, int n, int flags, PyObject *callable, void (*function)(sqlite3_context *, int, sqlite3_value **), bool window)
{
    bool none = callable == Py_None;
    Hook *hook = none ? NULL : hook_new(cx, callable);
    if (!none && !hook) return -1;
    Database *database = database_hold(cx->database);
    sqlite3 *db = database->db;
    int rc;
    flags |= SQLITE_UTF8;
    if (none) {
        if (window) UNLOCKED(rc = sqlite3_create_window_function(db, name, n, flags, NULL, NULL, NULL, NULL, NULL, NULL));
        else UNLOCKED(rc = sqlite3_create_function_v2(db, name, n, flags, NULL, NULL, NULL, NULL, NULL));
    }
    else if (window) UNLOCKED(rc = sqlite3_create_window_function(db, name, n, flags, hook, step_callback, final_callback, value_callback, inverse_callback, destroy_hook));
    else if (function) UNLOCKED(rc = sqlite3_create_function_v2(db, name, n, flags, hook, function, NULL, NULL, destroy_hook));
    else UNLOCKED(rc = sqlite3_create_function_v2(db, name, n, flags, hook, NULL, step_callback, final_callback, destroy_hook));
    database_drop(database);
    return rc;
}

BUILTIN_RAW(connection, create_function, "($self, /, name, narg, func, *, deterministic=False)",
            "Make an SQL function of a callable.\n\nThe first three parameters are to be given by position.")
{
    Connection *cx = CONNECTION(self);
    PyObject *arg[4];
    if (args_bind(&create_function_signature, args, nargs, kwnames, arg) < 0) return NULL;
    if (nargs < 3 && sqlite_warn("Passing keyword arguments 'name', 'narg' and 'func' to _sqlite3.Connection.create_function() is deprecated. "
                                 "Parameters 'name', 'narg' and 'func' will become positional-only in Python 3.15.") < 0) return NULL;
    const char *name = sqlite_text(arg[0], "create_function", "argument 'name'");
    if (!name) return NULL;
    int n = PyLong_AsInt(arg[1]), deterministic = 0;
    if (n == -1 && PyErr_Occurred()) return NULL;
    if (arg[3] && (deterministic = PyObject_IsTrue(arg[3])) < 0) return NULL;
    if (!connection_check(cx)) return NULL;
    int rc = create(cx, name, n, deterministic ? SQLITE_DETERMINISTIC : 0, arg[2], function_callback, false);
    if (rc > 0) sqlite_raise(cx->state, OPERATIONAL_ERROR, "Error creating function");
    if (rc) return NULL;
    Py_RETURN_NONE;
}

BUILTIN_RAW(connection, create_aggregate, "($self, /, name, n_arg, aggregate_class)",
            "Make an SQL aggregate function of a class with step() and finalize().\n\nThe parameters are to be given by position.")
{
    Connection *cx = CONNECTION(self);
    PyObject *arg[3];
    if (args_bind(&create_aggregate_signature, args, nargs, kwnames, arg) < 0) return NULL;
    if (nargs < 3 && sqlite_warn("Passing keyword arguments 'name', 'n_arg' and 'aggregate_class' to _sqlite3.Connection.create_aggregate() is deprecated. "
                                 "Parameters 'name', 'n_arg' and 'aggregate_class' will become positional-only in Python 3.15.") < 0) return NULL;
    const char *name = sqlite_text(arg[0], "create_aggregate", "argument 'name'");
    if (!name) return NULL;
    int n = PyLong_AsInt(arg[1]);
    if (n == -1 && PyErr_Occurred()) return NULL;
    if (!connection_check(cx)) return NULL;
    int rc = create(cx, name, n, 0, arg[2], NULL, false);
    if (rc > 0) sqlite_raise(cx->state, OPERATIONAL_ERROR, "Error creating aggregate");
    if (rc) return NULL;
    Py_RETURN_NONE;
}

BUILTIN(connection, create_window_function, KEYWORDS, "($self, name, num_params, aggregate_class, /)",
        "Make an SQL window function of a class with step(), inverse(), value() and finalize(). None takes the function away.")
{
    Connection *cx = CONNECTION(self);
    const char *name = sqlite_text(arg[0], "create_window_function", "argument 1");
    if (!name) return NULL;
    int n = PyLong_AsInt(arg[1]);
    if (n == -1 && PyErr_Occurred()) return NULL;
    if (!connection_check(cx)) return NULL;
    int rc = create(cx, name, n, 0, arg[2], NULL, true);
    if (rc > 0) sqlite_raise(cx->state, PROGRAMMING_ERROR, sqlite3_errstr(rc));     /* the library does not keep this error */
    if (rc) return NULL;
    Py_RETURN_NONE;
}

BUILTIN(connection, create_collation, KEYWORDS, "($self, name, callback, /)", "Set how texts are ordered under a name. None takes it away.")
{
    Connection *cx = CONNECTION(self);
    PyObject *callable = arg[1];
    Hook *hook = NULL;
    int rc;
    const char *name = sqlite_text(arg[0], "create_collation", "argument 1");
    if (!name || !connection_check(cx)) return NULL;
    if (callable != Py_None) {
        if (!PyCallable_Check(callable)) return PyErr_Format(PyExc_TypeError, "parameter must be callable");
        if (!(hook = hook_new(cx, callable))) return NULL;
    }
    Database *database = database_hold(cx->database);
    UNLOCKED(rc = sqlite3_create_collation_v2(database->db, name, SQLITE_UTF8, hook, hook ? collation_callback : NULL, hook ? destroy_hook : NULL));
    if (rc != SQLITE_OK) {                    /* here, unlike elsewhere, the library does not destroy it */
        hook_drop(hook);
        sqlite_raise_library(cx->state, database->db);
    }
    database_drop(database);
    if (rc != SQLITE_OK) return NULL;
    Py_RETURN_NONE;
}

/* A new hook of the connection's own, with the database locked and the GIL held, so that the library and the connection
 * never have different ones. callable None: no hook. */
static int own_hook_begin(Connection *cx, PyObject *callable, Hook **hook, Database **database)
{
    *hook = NULL;
    if (!connection_check(cx) || (callable != Py_None && !(*hook = hook_new(cx, callable)))) return -1;
    *database = database_hold(cx->database);
    database_lock((*database)->db);
    if (cx->database == *database) return 0;
    database_unlock((*database)->db);         /* another thread closed it while this one waited */
    database_drop(*database);
    hook_drop(*hook);
    sqlite_raise(cx->state, PROGRAMMING_ERROR, "Cannot operate on a closed database.");
    return -1;
}

static void own_hook_end(Hook **place, Hook *hook, Database *database)
{
    Hook *old = *place;
    *place = hook;
    database_unlock(database->db);
    hook_drop(old);
    database_drop(database);
}

BUILTIN_RAW(connection, set_authorizer, "($self, /, authorizer_callback)", "Set what is asked for leave. The parameter is to be given by position.")
{
    Connection *cx = CONNECTION(self);
    PyObject *callable;
    Hook *hook;
    Database *database;
    if (args_bind(&set_authorizer_signature, args, nargs, kwnames, &callable) < 0) return NULL;
    if (nargs < 1 && sqlite_warn("Passing keyword argument 'authorizer_callback' to _sqlite3.Connection.set_authorizer() is deprecated. "
                                 "Parameter 'authorizer_callback' will become positional-only in Python 3.15.") < 0) return NULL;
    if (own_hook_begin(cx, callable, &hook, &database) < 0) return NULL;
    if (sqlite3_set_authorizer(database->db, hook ? authorizer_callback : NULL, hook) != SQLITE_OK) {
        database_unlock(database->db);
        database_drop(database);
        hook_drop(hook);
        return sqlite_raise(cx->state, OPERATIONAL_ERROR, "Error setting authorizer callback");
    }
    own_hook_end(&cx->authorizer, hook, database);
    Py_RETURN_NONE;
}

BUILTIN_RAW(connection, set_progress_handler, "($self, /, progress_handler, n)",
            "Set what is called every n instructions of the library's machine; a true result ends the statement.\n\n"
            "None or an n of 0 takes it away. The first parameter is to be given by position.")
{
    Connection *cx = CONNECTION(self);
    PyObject *arg[2];
    Hook *hook;
    Database *database;
    if (args_bind(&set_progress_handler_signature, args, nargs, kwnames, arg) < 0) return NULL;
    if (nargs < 1 && sqlite_warn("Passing keyword argument 'progress_handler' to _sqlite3.Connection.set_progress_handler() is deprecated. "
                                 "Parameter 'progress_handler' will become positional-only in Python 3.15.") < 0) return NULL;
    int n = PyLong_AsInt(arg[1]);
    if (n == -1 && PyErr_Occurred()) return NULL;
    if (own_hook_begin(cx, arg[0], &hook, &database) < 0) return NULL;
    sqlite3_progress_handler(database->db, hook ? n : 0, hook ? progress_callback : NULL, hook);
    own_hook_end(&cx->progress, hook, database);
    Py_RETURN_NONE;
}

BUILTIN_RAW(connection, set_trace_callback, "($self, /, trace_callback)",
            "Set what is called with the text of each statement that runs. The parameter is to be given by position.")
{
    Connection *cx = CONNECTION(self);
    PyObject *callable;
    Hook *hook;
    Database *database;
    if (args_bind(&set_trace_callback_signature, args, nargs, kwnames, &callable) < 0) return NULL;
    if (nargs < 1 && sqlite_warn("Passing keyword argument 'trace_callback' to _sqlite3.Connection.set_trace_callback() is deprecated. "
                                 "Parameter 'trace_callback' will become positional-only in Python 3.15.") < 0) return NULL;
    if (own_hook_begin(cx, callable, &hook, &database) < 0) return NULL;
    sqlite3_trace_v2(database->db, hook ? SQLITE_TRACE_STMT : 0, hook ? trace_callback : NULL, hook);
    own_hook_end(&cx->trace, hook, database);
    Py_RETURN_NONE;
}

const PyMethodDef connection_callbacks[] = {
    METHOD(connection, create_aggregate), METHOD(connection, create_collation), METHOD(connection, create_function),
    METHOD(connection, create_window_function), METHOD(connection, set_authorizer), METHOD(connection, set_progress_handler),
    METHOD(connection, set_trace_callback), { 0 }
};
