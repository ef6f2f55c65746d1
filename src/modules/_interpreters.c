/* The _interpreters module: interpreters by number, and code that runs in them.
 *
 * Code crosses as text or marshalled, values as copies (runtime/crossinterp.h); an exception that nobody caught comes back
 * as a namespace of strings. */
#include "capi/args.h"
#include "compile/marshal_private.h"
#include "objects/namespace.h"
#include "runtime/crossinterp.h"
#include "runtime/state.h"

#include <marshal.h>
#include <stdlib.h>
#include <string.h>

/* The interpreter that operation is about; NULL: the current one. NULL with an exception. */
static Interpreter *resolve(PyObject *id, int restricted, bool ready, const char *operation)
{
    Interpreter *interp = id ? crossinterp_lookup_object(id) : interp_get();
    if (!interp) return NULL;
    PyObject *class = crossinterp_error();
    if (!class) return NULL;
    if (ready && !interp->runtime.ready) {
        if (id) PyErr_Format(class, "cannot %s interpreter %R (not ready)", operation, id);
        else PyErr_Format(class, "cannot %s current interpreter (not ready)", operation);
        return NULL;
    }
    if (restricted && interp->runtime.whence != WHENCE_STDLIB) {
        if (id) PyErr_Format(class, "cannot %s unrecognized interpreter %R", operation, id);
        else PyErr_Format(class, "cannot %s unrecognized current interpreter", operation);
        return NULL;
    }
    return interp;
}

static PyObject *id_and_whence(Interpreter *interp)
{
    return Py_BuildValue("(Li)", (long long)interp->runtime.id, interp->runtime.whence);
}

/* ---- configurations and lives ------------------------------------------------------------------------------------ */

static PyObject *interpreters_new_config(PyObject *module, PyObject *args, PyObject *kwargs)
{
    const char *name = NULL;
    PyInterpreterConfig config;
    if (!PyArg_ParseTuple(args, "|s:_interpreters.new_config", &name) || crossinterp_config_named(&config, name ? name : "isolated") < 0) return NULL;
    if (kwargs && PyDict_GET_SIZE(kwargs) && crossinterp_config_update(&config, kwargs, false) < 0) return NULL;
    return crossinterp_config_namespace(&config);
}

static PyObject *interpreters_create(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static const char *const names[] = { "config", "reqrefs", NULL };
    PyObject *given = NULL;
    int references = 0;
    PyInterpreterConfig config;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O$p:create", (char **)names, &given, &references)) return NULL;
    if (crossinterp_config_from_object(&config, given, "isolated") < 0) return NULL;
    Interpreter *interp = crossinterp_new(&config, WHENCE_STDLIB);
    if (!interp) return NULL;
    interp->runtime.require_idref = references;
    return PyLong_FromLongLong(interp->runtime.id);
}

static PyObject *interpreters_destroy(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static const char *const names[] = { "id", "restrict", NULL };
    PyObject *id;
    int restricted = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|$p:destroy", (char **)names, &id, &restricted)) return NULL;
    Interpreter *interp = resolve(id, restricted, false, "destroy");
    PyObject *class = crossinterp_error();
    if (!interp || !class) return NULL;
    if (interp == interp_get()) return PyErr_Format(class, "cannot destroy the current interpreter");
    if (interp->runtime.running_main) return PyErr_Format(class, "interpreter running");
    if (crossinterp_end(interp) < 0) return NULL;
    Py_RETURN_NONE;
}

static PyObject *interpreters_list_all(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static const char *const names[] = { "require_ready", NULL };
    int ready = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|$p:_interpreters.list_all", (char **)names, &ready)) return NULL;
    PyObject *list = PyList_New(0);
    for (Interpreter *interp = PyInterpreterState_Head(); list && interp; interp = PyInterpreterState_Next(interp)) {
        if (ready && !interp->runtime.ready) continue;
        PyObject *pair = id_and_whence(interp);
        if (!pair || PyList_Insert(list, 0, pair) < 0) Py_CLEAR(list);
        Py_XDECREF(pair);
    }
    return list;
}

static PyObject *interpreters_get_current(PyObject *module, PyObject *Py_UNUSED(ignored)) { return id_and_whence(interp_get()); }
static PyObject *interpreters_get_main(PyObject *module, PyObject *Py_UNUSED(ignored)) { return id_and_whence(PyInterpreterState_Main()); }

static PyObject *interpreters_get_config(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static const char *const names[] = { "id", "restrict", NULL };
    PyObject *id;
    int restricted = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|$p:get_config", (char **)names, &id, &restricted)) return NULL;
    Interpreter *interp = resolve(id == Py_None ? NULL : id, restricted, false, "get the config of");
    if (!interp) return NULL;
    PyInterpreterConfig config;
    crossinterp_config_of(interp, &config);
    return crossinterp_config_namespace(&config);
}

static PyObject *interpreters_whence(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static const char *const names[] = { "id", NULL };
    PyObject *id;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O:whence", (char **)names, &id)) return NULL;
    Interpreter *interp = crossinterp_lookup_object(id);
    return interp ? PyLong_FromLong(interp->runtime.whence) : NULL;
}

static PyObject *interpreters_is_running(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static const char *const names[] = { "id", "restrict", NULL };
    PyObject *id;
    int restricted = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|$p:is_running", (char **)names, &id, &restricted)) return NULL;
    Interpreter *interp = resolve(id, restricted, true, "check if running for");
    return interp ? PyBool_FromLong(interp->runtime.running_main) : NULL;
}

static PyObject *interpreters_incref(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static const char *const names[] = { "id", "implieslink", "restrict", NULL };
    PyObject *id;
    int link = 0, restricted = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|$pp:incref", (char **)names, &id, &link, &restricted)) return NULL;
    Interpreter *interp = resolve(id, restricted, true, "incref");
    if (!interp) return NULL;
    if (link) interp->runtime.require_idref = 1;
    crossinterp_incref(interp);
    Py_RETURN_NONE;
}

static PyObject *interpreters_decref(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static const char *const names[] = { "id", "restrict", NULL };
    PyObject *id;
    int restricted = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|$p:decref", (char **)names, &id, &restricted)) return NULL;
    Interpreter *interp = resolve(id, restricted, true, "decref");
    if (!interp) return NULL;
    crossinterp_decref(interp);
    Py_RETURN_NONE;
}

/* ---- running code --------------------------------------------------------------------------------------------------- */

/* What crosses: text, or a marshalled code object when `marshalled`. Borrowed from `holder`. */
typedef struct Script { PyObject *holder; const char *data; Py_ssize_t length; bool marshalled; } Script;

static const char *code_problem(PyCodeObject *code)
{
    if (code->co_argcount || code->co_kwonlyargcount || code->co_flags & (CO_VARARGS | CO_VARKEYWORDS)) return "arguments not supported";
    if (code->co_ncellvars > 0 || code->co_nfreevars > 0) return "closures not supported";
    return NULL;
}

static int script_from_text(Script *script, PyObject *text)
{
    script->data = PyUnicode_AsUTF8AndSize(text, &script->length);
    if (!script->data) return -1;
    if (strlen(script->data) != (size_t)script->length) {
        PyErr_SetString(PyExc_ValueError, "source code string cannot contain null bytes");
        return -1;
    }
    script->holder = Py_NewRef(text);
    return 0;
}

static int script_from_code(Script *script, PyObject *code, const char *function)
{
    const char *problem = NULL;
    bool is_function = PyFunction_Check(code);
    if (is_function) {
        if (PyFunction_GET_CLOSURE(code)) problem = "closures not supported";
        code = PyFunction_GET_CODE(code);
    }
    if (!problem) problem = code_problem((PyCodeObject *)code);
    if (problem) {
        PyErr_Format(PyExc_ValueError, "%.200s(): bad %s (%s)", function, is_function ? "func" : "code", problem);
        return -1;
    }
    script->holder = PyMarshal_WriteObjectToString(code, Py_MARSHAL_VERSION);
    if (!script->holder) return -1;
    script->data = PyBytes_AS_STRING(script->holder);
    script->length = PyBytes_GET_SIZE(script->holder);
    script->marshalled = true;
    return 0;
}

static PyObject *run_script(const Script *script, PyObject *dict)
{
    if (!script->marshalled) {
        PyCompilerFlags flags = _PyCompilerFlags_INIT;
        return PyRun_StringFlags(script->data, Py_file_input, dict, dict, &flags);
    }
    PyObject *code = PyMarshal_ReadObjectFromString(script->data, script->length), *result = NULL;
    if (code) result = PyEval_EvalCode(code, dict, dict);
    Py_XDECREF(code);
    return result;
}

/* In the visited interpreter: binds what is shared, and runs the script unless there is none. */
static void run_in_main_module(Interpreter *interp, const Script *script, const SharedItem *items, ExceptionText *error)
{
    PyObject *main = PyUnstable_InterpreterState_GetMainModule(interp), *result = NULL;
    PyObject *dict = main ? PyModule_GetDict(main) : NULL;
    if (dict && PyDict_ContainsString(dict, "__builtins__") == 0) (void)PyDict_SetItemString(dict, "__builtins__", PyEval_GetBuiltins());
    if (dict && !PyErr_Occurred() && crossinterp_unpack(items, dict) == 0)
        result = script ? run_script(script, dict) : Py_NewRef(Py_None);
    Py_XDECREF(main);
    if (result) Py_DECREF(result);
    else {
        PyObject *exception = PyErr_GetRaisedException();
        if (exception) exception_text_capture(error, exception);
        Py_XDECREF(exception);
    }
}

/* None, or the namespace of an exception that the code did not catch. Releases the script. */
static PyObject *run_in_interpreter(Interpreter *interp, Script *script, PyObject *shared)
{
    SharedItem *items = NULL;
    ExceptionText error = { 0 };
    Visit visit;
    PyObject *result = NULL;
    if (shared && crossinterp_pack(shared, &items) < 0) goto done;
    if (visit_begin(&visit, interp, true) < 0) goto done;
    run_in_main_module(interp, script, items, &error);
    visit_end(&visit);
    result = error.name || error.display ? exception_text_namespace(&error) : Py_NewRef(Py_None);
done:
    exception_text_clear(&error);
    crossinterp_free(items);
    if (script) Py_CLEAR(script->holder);
    return result;
}

enum { TAKES_TEXT = 1, TAKES_CODE = 2 };

static PyObject *execute(PyObject *args, PyObject *kwargs, const char *format, const char *function, const char *parameter, int takes)
{
    const char *const names[] = { "id", parameter, "shared", "restrict", NULL };
    PyObject *id, *code, *shared = NULL;
    int restricted = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, format, (char **)names, &id, &code, &shared, &restricted)) return NULL;
    Interpreter *interp = resolve(id, restricted, true, "exec code for");
    if (!interp) return NULL;
    if (shared == Py_None) shared = NULL;
    if (shared && !PyDict_Check(shared)) return PyErr_Format(PyExc_TypeError, "expected 'shared' to be a dict");
    Script script = { 0 };
    int status = -1;
    if (takes & TAKES_TEXT && PyUnicode_Check(code)) status = script_from_text(&script, code);
    else if (takes & TAKES_CODE && (PyFunction_Check(code) || PyCode_Check(code))) status = script_from_code(&script, code, function);
    else PyErr_Format(PyExc_TypeError, "%.200s() argument 2 must be %s, not %.200s", function,
                      takes == TAKES_TEXT ? "str" : takes == TAKES_CODE ? "a function or a code object" : "a string, a function, or a code object",
                      Py_TYPE(code)->tp_name);
    return status < 0 ? NULL : run_in_interpreter(interp, &script, shared);
}

static PyObject *interpreters_exec(PyObject *module, PyObject *args, PyObject *kwargs)
{
    return execute(args, kwargs, "OO|O$p:_interpreters.exec", "_interpreters.exec", "code", TAKES_TEXT | TAKES_CODE);
}

static PyObject *interpreters_run_string(PyObject *module, PyObject *args, PyObject *kwargs)
{
    return execute(args, kwargs, "OO|O$p:_interpreters.run_string", "_interpreters.run_string", "script", TAKES_TEXT);
}

static PyObject *interpreters_run_func(PyObject *module, PyObject *args, PyObject *kwargs)
{
    return execute(args, kwargs, "OO|O$p:_interpreters.run_func", "_interpreters.exec", "func", TAKES_CODE);
}

static PyObject *interpreters_call(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static const char *const names[] = { "id", "callable", "args", "kwargs", "restrict", NULL };
    PyObject *id, *callable, *given_args = NULL, *given_kwargs = NULL;
    int restricted = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OO|OO$p:_interpreters.call", (char **)names, &id, &callable, &given_args, &given_kwargs,
                                     &restricted)) return NULL;
    Interpreter *interp = resolve(id, restricted, true, "make a call in");
    if (!interp) return NULL;
    if (given_args) return PyErr_Format(PyExc_ValueError, "got unexpected args");
    if (given_kwargs) return PyErr_Format(PyExc_ValueError, "got unexpected kwargs");
    if (!PyFunction_Check(callable) && !PyCode_Check(callable))
        return PyErr_Format(PyExc_TypeError, "_interpreters.call() argument 2 must be a function, not %.200s", Py_TYPE(callable)->tp_name);
    Script script = { 0 };
    return script_from_code(&script, callable, "_interpreters.call") < 0 ? NULL : run_in_interpreter(interp, &script, NULL);
}

static PyObject *interpreters_set_main_attrs(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static const char *const names[] = { "id", "updates", "restrict", NULL };
    PyObject *id, *updates;
    int restricted = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OO|$p:_interpreters.set___main___attrs", (char **)names, &id, &updates, &restricted)) return NULL;
    Interpreter *interp = resolve(id, restricted, true, "update __main__ for");
    if (!interp) return NULL;
    if (updates != Py_None) {
        Py_ssize_t n = PyObject_Size(updates);
        if (n < 0) return NULL;
        if (n == 0) return PyErr_Format(PyExc_ValueError, "arg 2 must be a non-empty mapping");
    }
    PyObject *dict = PyDict_New(), *result = NULL;
    if (dict && (updates == Py_None || PyDict_Update(dict, updates) == 0)) result = run_in_interpreter(interp, NULL, dict);
    Py_XDECREF(dict);
    if (!result || result == Py_None) return result;
    Py_DECREF(result);
    PyObject *class = crossinterp_error();
    return class ? PyErr_Format(class, "failed to update __main__") : NULL;
}

/* ---- the rest ------------------------------------------------------------------------------------------------------- */

static PyObject *interpreters_is_shareable(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static const char *const names[] = { "obj", NULL };
    PyObject *o;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O:is_shareable", (char **)names, &o)) return NULL;
    return PyBool_FromLong(crossinterp_is_shareable(o));
}

static PyObject *interpreters_capture_exception(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static const char *const names[] = { "exc", NULL };
    PyObject *given = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O:capture_exception", (char **)names, &given)) return NULL;
    PyObject *exception = given && given != Py_None ? Py_NewRef(given) : PyErr_GetHandledException();
    if (!exception || exception == Py_None) {
        Py_XDECREF(exception);
        Py_RETURN_NONE;
    }
    if (!PyExceptionInstance_Check(exception)) {
        PyErr_Format(PyExc_TypeError, "expected exception, got %R", exception);
        Py_DECREF(exception);
        return NULL;
    }
    ExceptionText text = { 0 };
    exception_text_capture(&text, exception);
    Py_DECREF(exception);
    PyObject *namespace = exception_text_namespace(&text);
    exception_text_clear(&text);
    return namespace;
}

#define KEYWORD_METHOD(name, function, doc) { name, (PyCFunction)(void (*)(void))function, METH_VARARGS | METH_KEYWORDS, doc }

static PyMethodDef interpreters_methods[] = {
    KEYWORD_METHOD("new_config", interpreters_new_config,
                   "new_config(name='isolated', /, **overrides) -> type.SimpleNamespace\n\nThe named configuration, some fields replaced."),
    KEYWORD_METHOD("create", interpreters_create,
                   "create([config], *, reqrefs=False) -> ID\n\nMake an interpreter; it lives until destroy(), or with reqrefs until its last decref()."),
    KEYWORD_METHOD("destroy", interpreters_destroy, "destroy(id, *, restrict=False)\n\nEnd an interpreter that is not the current one."),
    KEYWORD_METHOD("list_all", interpreters_list_all, "list_all() -> [(ID, whence)]\n\nAll interpreters."),
    { "get_current", interpreters_get_current, METH_NOARGS, "get_current() -> (ID, whence)\n\nThe current interpreter." },
    { "get_main", interpreters_get_main, METH_NOARGS, "get_main() -> (ID, whence)\n\nThe main interpreter." },
    KEYWORD_METHOD("is_running", interpreters_is_running, "is_running(id, *, restrict=False) -> bool\n\nDoes its __main__ run?"),
    KEYWORD_METHOD("get_config", interpreters_get_config, "get_config(id, *, restrict=False) -> types.SimpleNamespace\n\nIts configuration."),
    KEYWORD_METHOD("whence", interpreters_whence, "whence(id) -> int\n\nWho made the interpreter: one of the WHENCE_ constants."),
    KEYWORD_METHOD("exec", interpreters_exec,
                   "exec(id, code, shared=None, *, restrict=False)\n\nRun a string, or a function or code object without arguments and free variables, in\n"
                   "the __main__ of an interpreter. None, or a snapshot of the exception that it raised."),
    KEYWORD_METHOD("call", interpreters_call,
                   "call(id, callable, args=None, kwargs=None, *, restrict=False)\n\nRun a function without arguments and free variables in an interpreter."),
    KEYWORD_METHOD("run_string", interpreters_run_string, "run_string(id, script, shared=None, *, restrict=False)\n\nRun a string (see exec())."),
    KEYWORD_METHOD("run_func", interpreters_run_func, "run_func(id, func, shared=None, *, restrict=False)\n\nRun a function or code object (see exec())."),
    KEYWORD_METHOD("set___main___attrs", interpreters_set_main_attrs,
                   "set___main___attrs(id, ns, *, restrict=False)\n\nBind names in the __main__ of an interpreter."),
    KEYWORD_METHOD("incref", interpreters_incref, NULL), KEYWORD_METHOD("decref", interpreters_decref, NULL),
    KEYWORD_METHOD("is_shareable", interpreters_is_shareable, "is_shareable(obj) -> bool\n\nCan a copy of the object reach another interpreter?"),
    KEYWORD_METHOD("capture_exception", interpreters_capture_exception,
                   "capture_exception(exc=None) -> types.SimpleNamespace\n\nA snapshot of the exception, or of the one being handled."),
    { 0 }
};

static int interpreters_exec_module(PyObject *module)
{
    static const struct { const char *name; int value; } constants[] = {
        { "WHENCE_UNKNOWN", WHENCE_UNKNOWN }, { "WHENCE_RUNTIME", WHENCE_RUNTIME }, { "WHENCE_LEGACY_CAPI", WHENCE_LEGACY_CAPI },
        { "WHENCE_CAPI", WHENCE_CAPI }, { "WHENCE_XI", WHENCE_XI }, { "WHENCE_STDLIB", WHENCE_STDLIB },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(constants); i++)
        if (PyModule_AddIntConstant(module, constants[i].name, constants[i].value) < 0) return -1;
    PyObject *error = crossinterp_error(), *not_found = crossinterp_not_found_error(), *not_shareable = crossinterp_not_shareable_error();
    if (!error || !not_found || !not_shareable) return -1;
    PyObject *view = crossinterp_buffer_view_type();
    if (!view || PyModule_AddObjectRef(module, "CrossInterpreterBufferView", view) < 0) return -1;
    if (PyModule_AddObjectRef(module, "InterpreterError", error) < 0) return -1;
    if (PyModule_AddObjectRef(module, "InterpreterNotFoundError", not_found) < 0) return -1;
    return PyModule_AddObjectRef(module, "NotShareableError", not_shareable);
}

static PyModuleDef_Slot interpreters_slots[] = {
    { Py_mod_exec, interpreters_exec_module }, { Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED }, { 0 }
};
static struct PyModuleDef interpreters_definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_interpreters",
    .m_doc = "Access to interpreters by number. The 'interpreters' module provides a more convenient interface.",
    .m_methods = interpreters_methods,
    .m_slots = interpreters_slots,
};
PyMODINIT_FUNC PyInit__interpreters(void) { return PyModuleDef_Init(&interpreters_definition); }
