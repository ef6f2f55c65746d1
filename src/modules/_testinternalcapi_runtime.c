/* More of _testinternalcapi: interpreters, pending calls, times, locale, sets, the frame hook. */
#include "capi/args.h"

#include "eval/eval_private.h"
#include "objects/set_private.h"
#include "runtime/crossinterp.h"
#include "runtime/import_private.h"
#include "runtime/pytime.h"
#include "runtime/runtime_private.h"
#include "runtime/state.h"

#include <frameobject.h>
#include <pythread.h>

/* ---- interpreters --------------------------------------------------------------------------------------------------- */

static PyObject *internal_run_in_subinterp_with_config(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static const char *const names[] = { "code", "config", "xi", NULL };
    const char *code;
    PyObject *object;
    int unused = 0;
    PyInterpreterConfig config;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "sO|$p:run_in_subinterp_with_config", (char **)names, &code, &object, &unused)) return NULL;
    if (crossinterp_config_from_object(&config, object, "default") < 0) return NULL;
    Interpreter *interp = crossinterp_new(&config, WHENCE_CAPI);
    Visit visit;
    if (!interp || visit_begin(&visit, interp, false) < 0) return NULL;
    PyCompilerFlags flags = _PyCompilerFlags_INIT;
    int status = PyRun_SimpleStringFlags(code, &flags);
    visit_end(&visit);
    return crossinterp_end(interp) < 0 ? NULL : PyLong_FromLong(status);
}

static PyObject *internal_create_interpreter(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static const char *const names[] = { "config", "whence", NULL };
    PyObject *object = NULL;
    int whence = WHENCE_LEGACY_CAPI;
    PyInterpreterConfig config;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O$i:create_interpreter", (char **)names, &object, &whence)) return NULL;
    Interpreter *interp;
    if (whence == WHENCE_UNKNOWN) interp = PyInterpreterState_New();
    else {
        if (crossinterp_config_from_object(&config, object, whence == WHENCE_LEGACY_CAPI ? "legacy" : "default") < 0) return NULL;
        interp = crossinterp_new(&config, whence);
    }
    if (!interp) return NULL;
    interp->runtime.whence = whence;
    return PyLong_FromLongLong(interp->runtime.id);
}

static PyObject *internal_destroy_interpreter(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static const char *const names[] = { "id", "basic", NULL };
    PyObject *id;
    int basic = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|p:destroy_interpreter", (char **)names, &id, &basic)) return NULL;
    Interpreter *interp = crossinterp_lookup_object(id);
    if (!interp) return NULL;
    if (interp->runtime.whence == WHENCE_UNKNOWN) {
        PyInterpreterState_Clear(interp);
        PyInterpreterState_Delete(interp);
    }
    else if (crossinterp_end(interp) < 0) return NULL;
    Py_RETURN_NONE;
}

static PyObject *internal_exec_interpreter(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static const char *const names[] = { "id", "code", "main", NULL };
    PyObject *id;
    const char *code;
    int main = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "Os|$p:exec_interpreter", (char **)names, &id, &code, &main)) return NULL;
    Interpreter *interp = crossinterp_lookup_object(id);
    Visit visit;
    if (!interp || visit_begin(&visit, interp, main) < 0) return NULL;
    PyCompilerFlags flags = _PyCompilerFlags_INIT;
    int status = PyRun_SimpleStringFlags(code, &flags);
    if (PyErr_Occurred()) PyErr_PrintEx(0);
    visit_end(&visit);
    return PyLong_FromLong(status);
}

static PyObject *internal_get_interp_settings(PyObject *module, PyObject *args)
{
    PyObject *id = NULL;
    if (!PyArg_ParseTuple(args, "|O:get_interp_settings", &id)) return NULL;
    Interpreter *interp = id ? crossinterp_lookup_object(id) : interp_get();
    if (!interp) return NULL;
    PyInterpreterConfig config;
    crossinterp_config_of(interp, &config);
    return Py_BuildValue("{sksO}", "feature_flags", interp->runtime.feature_flags, "own_gil",
                         config.gil == PyInterpreterConfig_OWN_GIL ? Py_True : Py_False);
}

BUILTIN_NOARGS(internal, next_interpreter_id, "($self, /)", "") { return PyLong_FromLongLong(_PyRuntime.runtime.next_interpreter_id); }
BUILTIN_NOARGS(internal, unused_interpreter_id, "($self, /)", "") { return PyLong_FromLongLong(INT64_MAX); }

BUILTIN_O(internal, normalize_interp_id, "($self, object, /)", "")
{
    int64_t id = crossinterp_id(arg);
    return id < 0 ? NULL : PyLong_FromLongLong(id);
}

BUILTIN_O(internal, interpreter_exists, "($self, object, /)", "")
{
    if (crossinterp_lookup_object(arg)) Py_RETURN_TRUE;
    PyObject *class = crossinterp_not_found_error();
    if (!class || !PyErr_ExceptionMatches(class)) return NULL;
    PyErr_Clear();
    Py_RETURN_FALSE;
}

BUILTIN_O(internal, get_interpreter_refcount, "($self, object, /)", "")
{
    Interpreter *interp = crossinterp_lookup_object(arg);
    return interp ? PyLong_FromLongLong(interp->runtime.id_refcount < 0 ? 0 : interp->runtime.id_refcount) : NULL;
}

static const char data_capsule[] = "_testinternalcapi.CrossInterpreterData";

static void data_capsule_free(PyObject *capsule) { crossinterp_value_free(PyCapsule_GetPointer(capsule, data_capsule)); }

static PyObject *get_crossinterp_data(PyObject *module, PyObject *arg)
{
    SharedValue *value = crossinterp_value_new(arg);
    PyObject *capsule = value ? PyCapsule_New(value, data_capsule, data_capsule_free) : NULL;
    if (!capsule) crossinterp_value_free(value);
    return capsule;
}

static PyObject *restore_crossinterp_data(PyObject *module, PyObject *arg)
{
    SharedValue *value = PyCapsule_GetPointer(arg, data_capsule);
    return value ? crossinterp_value_object(value) : NULL;
}

static PyObject *set_link(PyObject *id, int linked)
{
    Interpreter *interp = crossinterp_lookup_object(id);
    if (!interp) return NULL;
    interp->runtime.require_idref = linked;
    Py_RETURN_NONE;
}

BUILTIN_O(internal, link_interpreter_refcount, "($self, object, /)", "") { return set_link(arg, 1); }
BUILTIN_O(internal, unlink_interpreter_refcount, "($self, object, /)", "") { return set_link(arg, 0); }

BUILTIN_O(internal, interpreter_refcount_linked, "($self, object, /)", "")
{
    Interpreter *interp = crossinterp_lookup_object(arg);
    return interp ? PyBool_FromLong(interp->runtime.require_idref) : NULL;
}

static PyObject *internal_clear_extension(PyObject *module, PyObject *args)
{
    PyObject *name, *path;
    if (!PyArg_ParseTuple(args, "OO:clear_extension", &name, &path)) return NULL;
    if (import_forget_extension(name, path) < 0) return NULL;
    Py_RETURN_NONE;
}

/* ---- pending calls -------------------------------------------------------------------------------------------------- */

static int call_pending(void *callable)
{
    PyObject *result = PyObject_CallNoArgs(callable);
    Py_DECREF((PyObject *)callable);
    Py_XDECREF(result);
    return result ? 0 : -1;
}

static PyObject *internal_pending_threadfunc(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static const char *const names[] = { "callback", "num", "blocking", "ensure_added", NULL };
    PyObject *callable;
    unsigned n = 1, added = 0;
    int blocking = 0, ensure = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|I$pp:pending_threadfunc", (char **)names, &callable, &n, &blocking, &ensure)) return NULL;
    Interpreter *interp = interp_get();
    for (unsigned i = 0; i < n; i++) Py_INCREF(callable);
    PyThreadState *saved = blocking ? NULL : PyEval_SaveThread();
    while (added < n) {
        if (pending_add(interp, call_pending, callable) == 0) added++;
        else if (!ensure) break;
    }
    if (saved) PyEval_RestoreThread(saved);
    for (unsigned i = added; i < n; i++) Py_DECREF(callable);
    return PyLong_FromUnsignedLong(added);
}

typedef struct Identify { PyThread_type_lock lock; int64_t id; } Identify;

static int identify(void *argument)
{
    ((Identify *)argument)->id = interp_get()->runtime.id;
    PyThread_release_lock(((Identify *)argument)->lock);
    return 0;
}

static PyObject *internal_pending_identify(PyObject *module, PyObject *args)
{
    PyObject *id;
    if (!PyArg_ParseTuple(args, "O:pending_identify", &id)) return NULL;
    Interpreter *interp = crossinterp_lookup_object(id);
    Identify found = { PyThread_allocate_lock(), -1 };
    if (!interp || !found.lock) return interp ? PyErr_NoMemory() : NULL;
    Py_BEGIN_ALLOW_THREADS
    PyThread_acquire_lock(found.lock, WAIT_LOCK);
    while (pending_add(interp, identify, &found) < 0) ;
    PyThread_acquire_lock(found.lock, WAIT_LOCK);           /* the call lets it go */
    PyThread_release_lock(found.lock);
    Py_END_ALLOW_THREADS
    PyThread_free_lock(found.lock);
    return PyLong_FromLongLong(found.id);
}

/* ---- the frame hook --------------------------------------------------------------------------------------------------- */

/* The list that names are appended to, kept with the interpreter's small things. */
static PyObject *record_frame(PyThreadState *ts, struct _PyInterpreterFrame *frame, int throw)
{
    PyObject *extra = ts->interp->runtime.extra, *list = extra ? PyDict_GetItemString(extra, "recorded frames") : NULL;
    PyObject *code = PyUnstable_InterpreterFrame_GetCode(frame);
    if (list && PyCode_Check(code) && PyList_Append(list, ((PyCodeObject *)code)->co_name) < 0) PyErr_Clear();
    Py_DECREF(code);
    return _PyEval_EvalFrameDefault(ts, frame, throw);
}

BUILTIN_O(internal, set_eval_frame_record, "($self, object, /)", "")
{
    RuntimeState *r = &interp_get()->runtime;
    if (!PyList_Check(arg)) return PyErr_Format(PyExc_TypeError, "argument must be a list");
    if ((!r->extra && !(r->extra = PyDict_New())) || PyDict_SetItemString(r->extra, "recorded frames", arg) < 0) return NULL;
    _PyInterpreterState_SetEvalFrameFunc(interp_get(), record_frame);
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(internal, set_eval_frame_default, "($self, /)", "")
{
    PyObject *extra = interp_get()->runtime.extra;
    _PyInterpreterState_SetEvalFrameFunc(interp_get(), _PyEval_EvalFrameDefault);
    if (extra && PyDict_PopString(extra, "recorded frames", NULL) < 0) return NULL;
    Py_RETURN_NONE;
}

static struct _PyInterpreterFrame *frame_of(PyObject *o)
{
    if (PyFrame_Check(o)) return (struct _PyInterpreterFrame *)((PyFrameObject *)o)->f_frame;
    PyErr_SetString(PyExc_TypeError, "argument must be a frame");
    return NULL;
}

BUILTIN_O(internal, iframe_getcode, "($self, object, /)", "")
{
    struct _PyInterpreterFrame *f = frame_of(arg);
    return f ? PyUnstable_InterpreterFrame_GetCode(f) : NULL;
}

BUILTIN_O(internal, iframe_getlasti, "($self, object, /)", "")
{
    struct _PyInterpreterFrame *f = frame_of(arg);
    return f ? PyLong_FromLong(PyUnstable_InterpreterFrame_GetLasti(f)) : NULL;
}

BUILTIN_O(internal, iframe_getline, "($self, object, /)", "")
{
    struct _PyInterpreterFrame *f = frame_of(arg);
    return f ? PyLong_FromLong(PyUnstable_InterpreterFrame_GetLine(f)) : NULL;
}

/* ---- times ---------------------------------------------------------------------------------------------------------------- */

static int time_arguments(PyObject *args, PyObject **value, TimeRound *round)
{
    int n = ROUND_TIME_FLOOR;
    if (!PyArg_ParseTuple(args, "O|i", value, &n)) return -1;
    if (n < ROUND_TIME_FLOOR || n > ROUND_TIME_UP) {
        PyErr_SetString(PyExc_ValueError, "invalid rounding");
        return -1;
    }
    *round = (TimeRound)n;
    return 0;
}

static int nanoseconds_arguments(PyObject *args, PyTime_t *t, TimeRound *round)
{
    PyObject *value;
    if (time_arguments(args, &value, round) < 0) return -1;
    return time_from_nanoseconds_object(t, value);
}

static PyObject *internal_time_from_seconds(PyObject *module, PyObject *args)
{
    int seconds;
    return PyArg_ParseTuple(args, "i", &seconds) ? PyLong_FromLongLong(seconds * 1000000000LL) : NULL;
}

static PyObject *internal_time_from_seconds_object(PyObject *module, PyObject *args)
{
    PyObject *value;
    TimeRound round;
    PyTime_t t;
    if (time_arguments(args, &value, &round) < 0 || time_from_seconds_object(&t, value, round) < 0) return NULL;
    return PyLong_FromLongLong(t);
}

static PyObject *internal_time_as_timeval(PyObject *module, PyObject *args)
{
    TimeRound round;
    PyTime_t t;
    struct timeval tv;
    if (nanoseconds_arguments(args, &t, &round) < 0 || time_as_timeval(t, &tv, round) < 0) return NULL;
    return Py_BuildValue("Ll", (long long)tv.tv_sec, (long)tv.tv_usec);
}

static PyObject *internal_time_as_timespec(PyObject *module, PyObject *args)
{
    TimeRound round;
    PyTime_t t;
    struct timespec ts;
    if (nanoseconds_arguments(args, &t, &round) < 0 || time_as_timespec(t, &ts) < 0) return NULL;
    return Py_BuildValue("Ll", (long long)ts.tv_sec, ts.tv_nsec);
}

static PyObject *internal_time_as_timespec_clamp(PyObject *module, PyObject *args)
{
    TimeRound round;
    PyTime_t t;
    struct timespec ts;
    if (nanoseconds_arguments(args, &t, &round) < 0) return NULL;
    time_as_timespec_clamped(t, &ts);
    return Py_BuildValue("Ll", (long long)ts.tv_sec, ts.tv_nsec);
}

static PyObject *internal_time_as_milliseconds(PyObject *module, PyObject *args)
{
    TimeRound round;
    PyTime_t t;
    return nanoseconds_arguments(args, &t, &round) < 0 ? NULL : PyLong_FromLongLong(time_as_milliseconds(t, round));
}

static PyObject *internal_time_as_microseconds(PyObject *module, PyObject *args)
{
    TimeRound round;
    PyTime_t t;
    return nanoseconds_arguments(args, &t, &round) < 0 ? NULL : PyLong_FromLongLong(time_as_microseconds(t, round));
}

static PyObject *internal_object_to_time_t(PyObject *module, PyObject *args)
{
    PyObject *value;
    TimeRound round;
    time_t seconds;
    if (time_arguments(args, &value, &round) < 0 || time_object_to_time_t(value, &seconds, round) < 0) return NULL;
    return PyLong_FromLongLong(seconds);
}

static PyObject *internal_object_to_timeval(PyObject *module, PyObject *args)
{
    PyObject *value;
    TimeRound round;
    time_t seconds;
    long rest;
    if (time_arguments(args, &value, &round) < 0 || time_object_to_timeval(value, &seconds, &rest, round) < 0) return NULL;
    return Py_BuildValue("Ll", (long long)seconds, rest);
}

static PyObject *internal_object_to_timespec(PyObject *module, PyObject *args)
{
    PyObject *value;
    TimeRound round;
    time_t seconds;
    long rest;
    if (time_arguments(args, &value, &round) < 0 || time_object_to_timespec(value, &seconds, &rest, round) < 0) return NULL;
    return Py_BuildValue("Ll", (long long)seconds, rest);
}

/* ---- text ------------------------------------------------------------------------------------------------------------------ */

/* What the locale functions know; 0 strict, 1 surrogateescape, -1 with ValueError. */
static int locale_handler(const char *errors)
{
    if (!errors || strcmp(errors, "strict") == 0) return 0;
    if (strcmp(errors, "surrogateescape") == 0) return 1;
    PyErr_SetString(PyExc_ValueError, "unsupported error handler");
    return -1;
}

static PyObject *internal_EncodeLocaleEx(PyObject *module, PyObject *args)
{
    PyObject *text;
    int current = 0, handler;
    const char *errors = NULL, *reason = NULL;
    if (!PyArg_ParseTuple(args, "U|is", &text, &current, &errors) || (handler = locale_handler(errors)) < 0) return NULL;
    wchar_t *wide = PyUnicode_AsWideCharString(text, NULL);
    if (!wide) return NULL;
    char *bytes = NULL;
    size_t at = 0;
    int status = locale_encode(wide, &bytes, &at, &reason, false, handler, current);
    PyMem_Free(wide);
    if (status == -1) return PyErr_NoMemory();
    if (status < 0) return PyErr_Format(PyExc_RuntimeError, "encode error: pos=%zu, reason=%s", at, reason);
    PyObject *result = PyBytes_FromString(bytes);
    PyMem_Free(bytes);
    return result;
}

static PyObject *internal_DecodeLocaleEx(PyObject *module, PyObject *args)
{
    const char *bytes, *errors = NULL, *reason = NULL;
    int current = 0, handler;
    if (!PyArg_ParseTuple(args, "y|is", &bytes, &current, &errors) || (handler = locale_handler(errors)) < 0) return NULL;
    wchar_t *wide = NULL;
    size_t length = 0, at = 0;
    int status = locale_decode(bytes, &wide, &length, &at, &reason, handler, current);
    if (status == -1) return PyErr_NoMemory();
    if (status < 0) return PyErr_Format(PyExc_RuntimeError, "decode error: pos=%zu, reason=%s", at, reason);
    PyObject *result = PyUnicode_FromWideChar(wide, (Py_ssize_t)length);
    PyMem_RawFree(wide);
    return result;
}

PyAPI_FUNC(PyObject *) _PyUnicode_TransformDecimalAndSpaceToASCII(PyObject *s);

BUILTIN_O(internal, _PyUnicode_TransformDecimalAndSpaceToASCII, "($module, arg, /)", "")
{
    return _PyUnicode_TransformDecimalAndSpaceToASCII(arg == Py_None ? NULL : arg);
}

BUILTIN(internal, gh_119213_getargs, KEYWORDS, "($module, /, spam=None)", "Test _PyArg_Parser.kwtuple")
{
    return Py_NewRef(arg[0] ? arg[0] : Py_None);
}

/* ---- sets -------------------------------------------------------------------------------------------------------------------- */

static PyObject *internal_set_update(PyObject *module, PyObject *args)
{
    PyObject *set, *iterable;
    if (!PyArg_ParseTuple(args, "OO", &set, &iterable)) return NULL;
    if (!PySet_Check(set)) {
        PyErr_BadInternalCall();
        return NULL;
    }
    PyObject *update = PyObject_GetAttrString((PyObject *)&PySet_Type, "update"), *result = NULL;
    if (update) result = PyObject_CallFunctionObjArgs(update, set, iterable, NULL);
    Py_XDECREF(update);
    if (!result) return NULL;
    Py_DECREF(result);
    return PyLong_FromLong(0);
}

static PyObject *internal_set_next_entry(PyObject *module, PyObject *args)
{
    PyObject *set;
    Py_ssize_t at;
    if (!PyArg_ParseTuple(args, "On", &set, &at)) return NULL;
    if (!PyAnySet_Check(set)) {
        PyErr_BadInternalCall();
        return NULL;
    }
    setentry *entry = at < 0 ? NULL : set_next((PySetObject *)set, &at);
    if (!entry) Py_RETURN_NONE;
    return Py_BuildValue("innO", 1, at, entry->hash, entry->key);
}

#define KEYWORD_METHOD(name) { #name, (PyCFunction)(void (*)(void))internal_##name, METH_VARARGS | METH_KEYWORDS, NULL }
#define TUPLE_METHOD(name) { #name, internal_##name, METH_VARARGS, NULL }

PyMethodDef testinternal_runtime_methods[] = {
    KEYWORD_METHOD(run_in_subinterp_with_config), KEYWORD_METHOD(create_interpreter), KEYWORD_METHOD(destroy_interpreter),
    KEYWORD_METHOD(exec_interpreter), KEYWORD_METHOD(pending_threadfunc), TUPLE_METHOD(pending_identify), TUPLE_METHOD(get_interp_settings),
    METHOD(internal, next_interpreter_id), METHOD(internal, unused_interpreter_id), METHOD(internal, normalize_interp_id),
    METHOD(internal, interpreter_exists), METHOD(internal, get_interpreter_refcount), METHOD(internal, link_interpreter_refcount),
    METHOD(internal, unlink_interpreter_refcount), METHOD(internal, interpreter_refcount_linked), TUPLE_METHOD(clear_extension),
    METHOD(internal, set_eval_frame_record), METHOD(internal, set_eval_frame_default),
    METHOD(internal, iframe_getcode), METHOD(internal, iframe_getlasti), METHOD(internal, iframe_getline),
    { "get_crossinterp_data", get_crossinterp_data, METH_O, NULL }, { "restore_crossinterp_data", restore_crossinterp_data, METH_O, NULL },
    { "_PyTime_FromSeconds", internal_time_from_seconds, METH_VARARGS, NULL },
    { "_PyTime_FromSecondsObject", internal_time_from_seconds_object, METH_VARARGS, NULL },
    { "_PyTime_AsTimeval", internal_time_as_timeval, METH_VARARGS, NULL },
    { "_PyTime_AsTimeval_clamp", internal_time_as_timeval, METH_VARARGS, NULL },     /* 64 bits of seconds hold every time */
    { "_PyTime_AsTimespec", internal_time_as_timespec, METH_VARARGS, NULL },
    { "_PyTime_AsTimespec_clamp", internal_time_as_timespec_clamp, METH_VARARGS, NULL },
    { "_PyTime_AsMilliseconds", internal_time_as_milliseconds, METH_VARARGS, NULL },
    { "_PyTime_AsMicroseconds", internal_time_as_microseconds, METH_VARARGS, NULL },
    { "_PyTime_ObjectToTime_t", internal_object_to_time_t, METH_VARARGS, NULL },
    { "_PyTime_ObjectToTimeval", internal_object_to_timeval, METH_VARARGS, NULL },
    { "_PyTime_ObjectToTimespec", internal_object_to_timespec, METH_VARARGS, NULL },
    TUPLE_METHOD(EncodeLocaleEx), TUPLE_METHOD(DecodeLocaleEx), METHOD(internal, _PyUnicode_TransformDecimalAndSpaceToASCII),
    METHOD(internal, gh_119213_getargs), TUPLE_METHOD(set_update), TUPLE_METHOD(set_next_entry),
    { 0 }
};
