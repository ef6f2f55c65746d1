/* Python functions. Calling them is eval/'s; here is what they are made of, their attributes and their versions.
 *
 * func_version is 0 or a number that no other state of any function has had: whatever a specialised call relies on (code,
 * defaults, keyword defaults, closure, vectorcall) resets it when changed. */
#include "objects/function.h"

#include "capi/args.h"
#include "memory/alloc.h"

#define FUNC(o) ((PyFunctionObject *)(o))

/* ---- watchers and versions ------------------------------------------------------------------------------------------------ */

static void call_watchers(PyFunction_WatchEvent event, PyFunctionObject *f, PyObject *value)
{
    static const char *const names[] = { "CREATE", "DESTROY", "MODIFY_CODE", "MODIFY_DEFAULTS", "MODIFY_KWDEFAULTS" };
    TypeState *s = type_state();
    for (unsigned bits = s->active_function_watchers; bits; bits &= bits - 1) {
        PyFunction_WatchCallback callback = s->function_watchers[__builtin_ctz(bits)];
        if (callback(event, f, value) < 0)
            PyErr_FormatUnraisable("Exception ignored in PyFunction_EVENT_%s watcher callback for function %U at %p", names[event], f->func_qualname, f);
    }
}

static inline void notify(PyFunction_WatchEvent event, PyFunctionObject *f, PyObject *value)
{
    if (UNLIKELY(type_state()->active_function_watchers)) call_watchers(event, f, value);
}

int PyFunction_AddWatcher(PyFunction_WatchCallback callback)
{
    TypeState *s = type_state();
    for (int i = 0; i < FUNCTION_WATCHERS_MAX; i++) {
        if (s->function_watchers[i]) continue;
        s->function_watchers[i] = callback;
        s->active_function_watchers |= (uint8_t)(1 << i);
        return i;
    }
    PyErr_SetString(PyExc_RuntimeError, "no more func watcher IDs available");
    return -1;
}

int PyFunction_ClearWatcher(int id)
{
    TypeState *s = type_state();
    if (id < 0 || id >= FUNCTION_WATCHERS_MAX) {
        PyErr_Format(PyExc_ValueError, "invalid func watcher ID %d", id);
        return -1;
    }
    if (!s->function_watchers[id]) {
        PyErr_Format(PyExc_ValueError, "no func watcher set for ID %d", id);
        return -1;
    }
    s->function_watchers[id] = NULL;
    s->active_function_watchers &= (uint8_t)~(1 << id);
    return 0;
}

uint32_t function_version(PyFunctionObject *f)
{
    if (f->func_version) return f->func_version;
    if (f->vectorcall != function_vectorcall) return 0;
    return f->func_version = version_next(&_PyRuntime.types.function_version);
}

void PyFunction_SetVectorcall(PyFunctionObject *f, vectorcallfunc vectorcall)
{
    f->func_version = 0;
    f->vectorcall = vectorcall;
}

/* ---- making ------------------------------------------------------------------------------------------------------------------ */

PyObject *PyFunction_NewWithQualName(PyObject *code_object, PyObject *globals, PyObject *qualname)
{
    Thread *t = thread_get();
    PyCodeObject *code = (PyCodeObject *)code_object;
    PyObject *builtins = eval_builtins_of(&t->ts, globals), *module = NULL, *doc = Py_None;
    if (!builtins || PyDict_GetItemRef(globals, STR(__name__), &module) < 0) return NULL;
    if (PyTuple_GET_SIZE(code->co_consts) > 0 && PyUnicode_Check(PyTuple_GET_ITEM(code->co_consts, 0)))
        doc = PyTuple_GET_ITEM(code->co_consts, 0);
    PyFunctionObject *f = (PyFunctionObject *)gc_alloc(t, &PyFunction_Type, sizeof *f, 0);
    if (!f) {
        Py_XDECREF(module);
        return NULL;
    }
    f->func_globals = Py_NewRef(globals);
    f->func_builtins = Py_NewRef(builtins);
    f->func_name = Py_NewRef(code->co_name);
    f->func_qualname = Py_NewRef(qualname ? qualname : code->co_qualname);
    f->func_code = Py_NewRef(code_object);
    f->func_defaults = NULL;
    f->func_kwdefaults = NULL;
    f->func_closure = NULL;
    f->func_doc = Py_NewRef(doc);
    f->func_dict = NULL;
    f->func_weakreflist = NULL;
    f->func_module = module;
    f->func_annotations = NULL;
    f->func_typeparams = NULL;
    f->vectorcall = function_vectorcall;
    f->func_version = 0;
    gc_track(t, OBJECT(f));
    notify(PyFunction_EVENT_CREATE, f, NULL);
    return OBJECT(f);
}

PyObject *PyFunction_New(PyObject *code, PyObject *globals) { return PyFunction_NewWithQualName(code, globals, NULL); }

/* ---- the C API's fields -------------------------------------------------------------------------------------------------------- */

static bool check(PyObject *o)
{
    if (PyFunction_Check(o)) return true;
    PyErr_BadInternalCall();
    return false;
}

PyObject *PyFunction_GetCode(PyObject *o) { return check(o) ? FUNC(o)->func_code : NULL; }
PyObject *PyFunction_GetGlobals(PyObject *o) { return check(o) ? FUNC(o)->func_globals : NULL; }
PyObject *PyFunction_GetModule(PyObject *o) { return check(o) ? FUNC(o)->func_module : NULL; }
PyObject *PyFunction_GetDefaults(PyObject *o) { return check(o) ? FUNC(o)->func_defaults : NULL; }
PyObject *PyFunction_GetKwDefaults(PyObject *o) { return check(o) ? FUNC(o)->func_kwdefaults : NULL; }
PyObject *PyFunction_GetClosure(PyObject *o) { return check(o) ? FUNC(o)->func_closure : NULL; }
PyObject *PyFunction_GetAnnotations(PyObject *o) { return check(o) ? function_annotations(FUNC(o)) : NULL; }

/* None means no value. value NULL is allowed too. */
static int set_checked(PyObject *o, PyObject **field, PyObject *value, bool ok, PyFunction_WatchEvent event, bool watched)
{
    if (value == Py_None) value = NULL;
    else if (!ok) {
        PyErr_SetString(PyExc_SystemError, "non-tuple default args");
        return -1;
    }
    if (watched) notify(event, FUNC(o), value);
    FUNC(o)->func_version = 0;
    Py_XSETREF(*field, Py_XNewRef(value));
    return 0;
}

int PyFunction_SetDefaults(PyObject *o, PyObject *value)
{
    return check(o) ? set_checked(o, &FUNC(o)->func_defaults, value, value && PyTuple_Check(value), PyFunction_EVENT_MODIFY_DEFAULTS, true) : -1;
}

int PyFunction_SetKwDefaults(PyObject *o, PyObject *value)
{
    if (!check(o)) return -1;
    if (value != Py_None && !(value && PyDict_Check(value))) {
        PyErr_SetString(PyExc_SystemError, "non-dict keyword only default args");
        return -1;
    }
    return set_checked(o, &FUNC(o)->func_kwdefaults, value, true, PyFunction_EVENT_MODIFY_KWDEFAULTS, true);
}

int PyFunction_SetClosure(PyObject *o, PyObject *value)
{
    if (!check(o)) return -1;
    if (value != Py_None && !PyTuple_Check(value)) {
        PyErr_Format(PyExc_SystemError, "expected tuple for closure, got '%.100s'", Py_TYPE(value)->tp_name);
        return -1;
    }
    return set_checked(o, &FUNC(o)->func_closure, value, true, 0, false);
}

int PyFunction_SetAnnotations(PyObject *o, PyObject *value)
{
    if (!check(o)) return -1;
    if (value != Py_None && !(value && PyDict_Check(value))) {
        PyErr_SetString(PyExc_SystemError, "non-dict annotations");
        return -1;
    }
    return set_checked(o, &FUNC(o)->func_annotations, value, true, 0, false);
}

/* ---- attributes ------------------------------------------------------------------------------------------------------------------ */

PyObject *function_annotations(PyFunctionObject *f)
{
    PyObject *a = f->func_annotations;
    if (!a || !PyTuple_CheckExact(a)) return a;
    PyObject *dict = PyDict_New();
    for (Py_ssize_t i = 0; dict && i + 1 < PyTuple_GET_SIZE(a); i += 2)
        if (PyDict_SetItem(dict, PyTuple_GET_ITEM(a, i), PyTuple_GET_ITEM(a, i + 1)) < 0) Py_CLEAR(dict);
    if (dict) Py_SETREF(f->func_annotations, dict);
    return dict;
}

static PyObject *get_code(PyObject *self, void *Py_UNUSED(c))
{
    if (PySys_Audit("object.__getattr__", "Os", self, "__code__") < 0) return NULL;
    return Py_NewRef(FUNC(self)->func_code);
}

enum { KINDS = CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR };

static const char *kind_name(int flags)
{
    return flags & CO_GENERATOR ? "a generator" : flags & CO_COROUTINE ? "a coroutine"
         : flags & CO_ASYNC_GENERATOR ? "an async generator" : "a plain";
}

static int set_code(PyObject *self, PyObject *value, void *Py_UNUSED(c))
{
    PyFunctionObject *f = FUNC(self);
    if (!value || !PyCode_Check(value)) {
        PyErr_SetString(PyExc_TypeError, "__code__ must be set to a code object");
        return -1;
    }
    if (PySys_Audit("object.__setattr__", "OsO", self, "__code__", value) < 0) return -1;
    PyCodeObject *code = (PyCodeObject *)value;
    Py_ssize_t cells = f->func_closure ? PyTuple_GET_SIZE(f->func_closure) : 0;
    if (PyCode_GetNumFree(code) != cells) {
        PyErr_Format(PyExc_ValueError, "%U() requires a code object with %zd free vars, not %zd", f->func_name, cells,
                     (Py_ssize_t)PyCode_GetNumFree(code));
        return -1;
    }
    int old = ((PyCodeObject *)f->func_code)->co_flags & KINDS, new = code->co_flags & KINDS;
    if (old != new) {
        (void)kind_name;
        if (PyErr_WarnEx(PyExc_DeprecationWarning, "Assigning a code object of non-matching type is deprecated (e.g., from a "
                         "generator to a plain function)", 1) < 0)
            return -1;
    }
    notify(PyFunction_EVENT_MODIFY_CODE, f, value);
    f->func_version = 0;
    Py_SETREF(f->func_code, Py_NewRef(value));
    return 0;
}

static PyObject *get_name(PyObject *self, void *Py_UNUSED(c)) { return Py_NewRef(FUNC(self)->func_name); }
static PyObject *get_qualname(PyObject *self, void *Py_UNUSED(c)) { return Py_NewRef(FUNC(self)->func_qualname); }

static int set_str(PyObject **field, PyObject *value, const char *message)
{
    if (!value || !PyUnicode_Check(value)) {
        PyErr_SetString(PyExc_TypeError, message);
        return -1;
    }
    Py_SETREF(*field, Py_NewRef(value));
    return 0;
}

static int set_name(PyObject *self, PyObject *value, void *Py_UNUSED(c))
{
    return set_str(&FUNC(self)->func_name, value, "__name__ must be set to a string object");
}

static int set_qualname(PyObject *self, PyObject *value, void *Py_UNUSED(c))
{
    return set_str(&FUNC(self)->func_qualname, value, "__qualname__ must be set to a string object");
}

static PyObject *or_none(PyObject *o) { return Py_NewRef(o ? o : Py_None); }

static PyObject *get_defaults(PyObject *self, void *Py_UNUSED(c))
{
    if (PySys_Audit("object.__getattr__", "Os", self, "__defaults__") < 0) return NULL;
    return or_none(FUNC(self)->func_defaults);
}

static int set_defaults(PyObject *self, PyObject *value, void *Py_UNUSED(c))
{
    if (value == Py_None) value = NULL;
    if (value && !PyTuple_Check(value)) {
        PyErr_SetString(PyExc_TypeError, "__defaults__ must be set to a tuple object");
        return -1;
    }
    if (PySys_Audit(value ? "object.__setattr__" : "object.__delattr__", value ? "OsO" : "Os", self, "__defaults__", value) < 0) return -1;
    notify(PyFunction_EVENT_MODIFY_DEFAULTS, FUNC(self), value);
    FUNC(self)->func_version = 0;
    Py_XSETREF(FUNC(self)->func_defaults, Py_XNewRef(value));
    return 0;
}

static PyObject *get_kwdefaults(PyObject *self, void *Py_UNUSED(c))
{
    if (PySys_Audit("object.__getattr__", "Os", self, "__kwdefaults__") < 0) return NULL;
    return or_none(FUNC(self)->func_kwdefaults);
}

static int set_kwdefaults(PyObject *self, PyObject *value, void *Py_UNUSED(c))
{
    if (value == Py_None) value = NULL;
    if (value && !PyDict_Check(value)) {
        PyErr_SetString(PyExc_TypeError, "__kwdefaults__ must be set to a dict object");
        return -1;
    }
    if (PySys_Audit(value ? "object.__setattr__" : "object.__delattr__", value ? "OsO" : "Os", self, "__kwdefaults__", value) < 0) return -1;
    notify(PyFunction_EVENT_MODIFY_KWDEFAULTS, FUNC(self), value);
    FUNC(self)->func_version = 0;
    Py_XSETREF(FUNC(self)->func_kwdefaults, Py_XNewRef(value));
    return 0;
}

static PyObject *get_annotations(PyObject *self, void *Py_UNUSED(c))
{
    PyFunctionObject *f = FUNC(self);
    if (!f->func_annotations) f->func_annotations = PyDict_New();
    return Py_XNewRef(f->func_annotations ? function_annotations(f) : NULL);
}

static int set_annotations(PyObject *self, PyObject *value, void *Py_UNUSED(c))
{
    if (value == Py_None) value = NULL;
    if (value && !PyDict_Check(value)) {
        PyErr_SetString(PyExc_TypeError, "__annotations__ must be set to a dict object");
        return -1;
    }
    FUNC(self)->func_version = 0;
    Py_XSETREF(FUNC(self)->func_annotations, Py_XNewRef(value));
    return 0;
}

static PyObject *get_type_params(PyObject *self, void *Py_UNUSED(c))
{
    PyObject *params = FUNC(self)->func_typeparams;
    return params ? Py_NewRef(params) : PyTuple_New(0);
}

static int set_type_params(PyObject *self, PyObject *value, void *Py_UNUSED(c))
{
    if (!value || !PyTuple_Check(value)) {
        PyErr_SetString(PyExc_TypeError, "__type_params__ must be set to a tuple");
        return -1;
    }
    Py_XSETREF(FUNC(self)->func_typeparams, Py_NewRef(value));
    return 0;
}

static PyGetSetDef function_getset[] = {
    { "__code__", get_code, set_code, NULL, NULL },
    { "__defaults__", get_defaults, set_defaults, NULL, NULL },
    { "__kwdefaults__", get_kwdefaults, set_kwdefaults, NULL, NULL },
    { "__annotations__", get_annotations, set_annotations, NULL, NULL },
    { "__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, NULL, NULL },
    { "__name__", get_name, set_name, NULL, NULL },
    { "__qualname__", get_qualname, set_qualname, NULL, NULL },
    { "__type_params__", get_type_params, set_type_params, NULL, NULL },
    { NULL },
};

static PyMemberDef function_members[] = {
    { "__closure__", _Py_T_OBJECT, offsetof(PyFunctionObject, func_closure), Py_READONLY, NULL },
    { "__doc__", _Py_T_OBJECT, offsetof(PyFunctionObject, func_doc), 0, NULL },
    { "__globals__", _Py_T_OBJECT, offsetof(PyFunctionObject, func_globals), Py_READONLY, NULL },
    { "__module__", _Py_T_OBJECT, offsetof(PyFunctionObject, func_module), 0, NULL },
    { "__builtins__", _Py_T_OBJECT, offsetof(PyFunctionObject, func_builtins), Py_READONLY, NULL },
    { NULL },
};

/* ---- types.FunctionType(...) --------------------------------------------------------------------------------------------------------- */

SIGNATURE(function_signature, "function", KEYWORDS, "(code, globals, name=None, argdefs=None, closure=None, kwdefaults=None)");

static bool check_closure(PyCodeObject *code, PyObject *closure)
{
    Py_ssize_t wanted = PyCode_GetNumFree(code);
    if (closure != Py_None && !PyTuple_Check(closure)) {
        PyErr_SetString(PyExc_TypeError, wanted ? "arg 5 (closure) must be tuple" : "arg 5 (closure) must be None or tuple");
        return false;
    }
    if (wanted && closure == Py_None) {
        PyErr_SetString(PyExc_TypeError, "arg 5 (closure) must be tuple");
        return false;
    }
    Py_ssize_t given = closure == Py_None ? 0 : PyTuple_GET_SIZE(closure);
    if (given != wanted) {
        PyErr_Format(PyExc_ValueError, "%U requires closure of length %zd, not %zd", code->co_name, wanted, given);
        return false;
    }
    for (Py_ssize_t i = 0; i < given; i++) {
        PyObject *o = PyTuple_GET_ITEM(closure, i);
        if (PyCell_Check(o)) continue;
        PyErr_Format(PyExc_TypeError, "arg 5 (closure) expected cell, found %s", Py_TYPE(o)->tp_name);
        return false;
    }
    return true;
}

static bool check_type(PyObject *o, int i, const char *name, PyTypeObject *type)
{
    if (PyObject_TypeCheck(o, type)) return true;
    PyErr_Format(PyExc_TypeError, "%s argument '%s' (pos %d) must be %s, not %s", "function()", name, i, type->tp_name,
                 o == Py_None ? "None" : Py_TYPE(o)->tp_name);
    return false;
}

static PyObject *function_new(PyTypeObject *Py_UNUSED(type), PyObject *args, PyObject *kwds)
{
    PyObject *arg[6];
    if (args_bind_tuple(&function_signature, args, kwds, arg) < 0) return NULL;
    for (int i = 2; i < 6; i++)
        if (!arg[i]) arg[i] = Py_None;
    PyObject *code = arg[0], *globals = arg[1], *name = arg[2], *defaults = arg[3], *closure = arg[4], *kwdefaults = arg[5];
    (void)check_type;
    if (!PyCode_Check(code)) {
        PyErr_Format(PyExc_TypeError, "function() argument 'code' must be code, not %s", code == Py_None ? "None" : Py_TYPE(code)->tp_name);
        return NULL;
    }
    if (!PyDict_Check(globals)) {
        PyErr_Format(PyExc_TypeError, "function() argument 'globals' must be dict, not %s", globals == Py_None ? "None" : Py_TYPE(globals)->tp_name);
        return NULL;
    }
    const char *wrong = name != Py_None && !PyUnicode_Check(name) ? "arg 3 (name) must be None or string"
                      : defaults != Py_None && !PyTuple_Check(defaults) ? "arg 4 (defaults) must be None or tuple"
                      : kwdefaults != Py_None && !PyDict_Check(kwdefaults) ? "arg 6 (kwdefaults) must be None or dict" : NULL;
    if (wrong) {
        PyErr_SetString(PyExc_TypeError, wrong);
        return NULL;
    }
    if (!check_closure((PyCodeObject *)code, closure)) return NULL;
    if (PySys_Audit("function.__new__", "O", code) < 0) return NULL;
    PyFunctionObject *f = (PyFunctionObject *)PyFunction_New(code, globals);
    if (!f) return NULL;
    if (name != Py_None) Py_SETREF(f->func_name, Py_NewRef(name));
    if (defaults != Py_None) f->func_defaults = Py_NewRef(defaults);
    if (closure != Py_None) f->func_closure = Py_NewRef(closure);
    if (kwdefaults != Py_None) f->func_kwdefaults = Py_NewRef(kwdefaults);
    return OBJECT(f);
}

/* ---- the type -------------------------------------------------------------------------------------------------------------------------- */

static int function_clear(PyObject *self)
{
    PyFunctionObject *f = FUNC(self);
    f->func_version = 0;
    Py_CLEAR(f->func_globals);
    Py_CLEAR(f->func_builtins);
    Py_CLEAR(f->func_module);
    Py_CLEAR(f->func_defaults);
    Py_CLEAR(f->func_kwdefaults);
    Py_CLEAR(f->func_doc);
    Py_CLEAR(f->func_dict);
    Py_CLEAR(f->func_closure);
    Py_CLEAR(f->func_annotations);
    Py_CLEAR(f->func_typeparams);
    /* Names and code stay: what runs during the collection may still call or name the function. They have no way back to it,
     * but str subclasses may: exact strings are put in their place. */
    Py_SETREF(f->func_name, Py_NewRef(EMPTY_STR));
    Py_SETREF(f->func_qualname, Py_NewRef(EMPTY_STR));
    return 0;
}

static void function_dealloc(PyObject *self)
{
    PyFunctionObject *f = FUNC(self);
    if (UNLIKELY(type_state()->active_function_watchers)) {   /* a watcher may keep it */
        f->ob_base.ob_refcnt = 1;
        call_watchers(PyFunction_EVENT_DESTROY, f, NULL);
        if (--f->ob_base.ob_refcnt > 0) return;
    }
    PyObject_GC_UnTrack(self);
    if (UNLIKELY(f->func_weakreflist)) PyObject_ClearWeakRefs(self);
    Py_XDECREF(f->func_globals);
    Py_XDECREF(f->func_builtins);
    Py_XDECREF(f->func_module);
    Py_XDECREF(f->func_defaults);
    Py_XDECREF(f->func_kwdefaults);
    Py_XDECREF(f->func_doc);
    Py_XDECREF(f->func_dict);
    Py_XDECREF(f->func_closure);
    Py_XDECREF(f->func_annotations);
    Py_XDECREF(f->func_typeparams);
    Py_DECREF(f->func_code);
    Py_DECREF(f->func_name);
    Py_DECREF(f->func_qualname);
    PyObject_GC_Del(self);
}

static int function_traverse(PyObject *self, visitproc visit, void *arg)
{
    PyFunctionObject *f = FUNC(self);
    Py_VISIT(f->func_code);
    Py_VISIT(f->func_globals);
    Py_VISIT(f->func_builtins);
    Py_VISIT(f->func_module);
    Py_VISIT(f->func_defaults);
    Py_VISIT(f->func_kwdefaults);
    Py_VISIT(f->func_doc);
    Py_VISIT(f->func_name);
    Py_VISIT(f->func_dict);
    Py_VISIT(f->func_closure);
    Py_VISIT(f->func_annotations);
    Py_VISIT(f->func_typeparams);
    Py_VISIT(f->func_qualname);
    return 0;
}

static PyObject *function_repr(PyObject *self) { return PyUnicode_FromFormat("<function %U at %p>", FUNC(self)->func_qualname, self); }

static PyObject *function_descr_get(PyObject *self, PyObject *obj, PyObject *type)
{
    (void)type;
    return obj && obj != Py_None ? PyMethod_New(self, obj) : Py_NewRef(self);
}

PyTypeObject PyFunction_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "function",
    .tp_basicsize = sizeof(PyFunctionObject),
    .tp_dealloc = function_dealloc,
    .tp_vectorcall_offset = offsetof(PyFunctionObject, vectorcall),
    .tp_repr = function_repr,
    .tp_call = PyVectorcall_Call,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_METHOD_DESCRIPTOR,
    .tp_doc = "function(code, globals, name=None, argdefs=None, closure=None,\n         kwdefaults=None)\n--\n\n"
              "Make a function from a code object.\n\nname, argdefs, closure and kwdefaults replace what the code object says; closure is a\n"
              "tuple of one cell for each free variable.",
    .tp_traverse = function_traverse,
    .tp_clear = function_clear,
    .tp_weaklistoffset = offsetof(PyFunctionObject, func_weakreflist),
    .tp_members = function_members,
    .tp_getset = function_getset,
    .tp_descr_get = function_descr_get,
    .tp_dictoffset = offsetof(PyFunctionObject, func_dict),
    .tp_new = function_new,
};
