/* Context variables (PEP 567). A context is a map (hamt.h) of variables to values: copying one is taking a reference, and a write
 * afterwards copies the few nodes on the way to the variable. */
#include "runtime/state.h"
#include "capi/args.h"
#include "objects/hamt.h"

struct _pycontextobject {
    PyObject_HEAD
    PyContext *previous;                 /* what was current when this one was entered; owned */
    Hamt vars;                           /* ContextVar -> value; its mark: whether the context is entered */
    PyObject *weakrefs;
};
_Static_assert(sizeof(struct _pycontextobject) == 48, "__basicsize__ is CPython's");

struct _pycontextvarobject {
    PyObject_HEAD
    PyObject *name, *fallback;
    PyObject *cached;                    /* borrowed value, right for that thread and version */
    uint64_t cached_thread, cached_version;
    Py_hash_t hash;
};

struct _pycontexttokenobject {
    PyObject_HEAD
    PyContext *context;
    PyContextVar *var;
    PyObject *old;                       /* NULL: there was none */
    bool used;
};

/* ---- contexts --------------------------------------------------------------------------------------------------------------- */

/* vars: NULL for none. */
static PyContext *context_make(const Hamt *vars)
{
    PyContext *c = PyObject_GC_New(PyContext, &PyContext_Type);
    if (!c) return NULL;
    c->previous = NULL;
    c->weakrefs = NULL;
    c->vars = (Hamt){ 0 };
    if (vars) hamt_copy(&c->vars, vars);
    PyObject_GC_Track(c);
    return c;
}

PyObject *PyContext_New(void) { return (PyObject *)context_make(NULL); }

static PyContext *context_check(PyObject *o)
{
    if (PyContext_CheckExact(o)) return (PyContext *)o;
    PyErr_SetString(PyExc_TypeError, "an instance of Context was expected");
    return NULL;
}

PyObject *PyContext_Copy(PyObject *o)
{
    PyContext *c = context_check(o);
    return c ? (PyObject *)context_make(&c->vars) : NULL;
}

/* BORROWED, made on first use. */
static PyContext *context_current(PyThreadState *ts)
{
    if (!ts->context) {
        ts->context = PyContext_New();
        ts->context_ver++;
    }
    return (PyContext *)ts->context;
}

PyObject *PyContext_CopyCurrent(void)
{
    PyContext *c = context_current(PyThreadState_GET());
    return c ? (PyObject *)context_make(&c->vars) : NULL;
}

int PyContext_Enter(PyObject *o)
{
    PyContext *c = context_check(o);
    if (!c) return -1;
    if (c->vars.mark) {
        PyErr_Format(PyExc_RuntimeError, "cannot enter context: %R is already entered", o);
        return -1;
    }
    PyThreadState *ts = PyThreadState_GET();
    c->previous = (PyContext *)ts->context;
    c->vars.mark = 1;
    ts->context = Py_NewRef(c);
    ts->context_ver++;
    return 0;
}

int PyContext_Exit(PyObject *o)
{
    PyContext *c = context_check(o);
    if (!c) return -1;
    PyThreadState *ts = PyThreadState_GET();
    if (!c->vars.mark) {
        PyErr_Format(PyExc_RuntimeError, "cannot exit context: %R has not been entered", o);
        return -1;
    }
    if (ts->context != o) {
        PyErr_SetString(PyExc_RuntimeError, "cannot exit context: thread state references a different context object");
        return -1;
    }
    PyObject *old = ts->context;
    ts->context = (PyObject *)c->previous;
    ts->context_ver++;
    c->previous = NULL;
    c->vars.mark = 0;
    Py_DECREF(old);
    return 0;
}

static PyObject *context_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    if (PyTuple_GET_SIZE(args) || (kwargs && PyDict_GET_SIZE(kwargs))) {
        PyErr_SetString(PyExc_TypeError, "Context() does not accept any arguments");
        return NULL;
    }
    return PyContext_New();
}

static int context_clear(PyContext *c)
{
    Py_CLEAR(c->previous);
    c->vars.count = 0;
    Py_CLEAR(c->vars.root);
    return 0;
}

static void context_dealloc(PyContext *c)
{
    PyObject_GC_UnTrack(c);
    if (c->weakrefs) PyObject_ClearWeakRefs((PyObject *)c);
    context_clear(c);
    PyObject_GC_Del(c);
}

static int context_traverse(PyContext *c, visitproc visit, void *arg)
{
    Py_VISIT(c->previous);
    Py_VISIT(c->vars.root);
    return 0;
}

static int key_check(PyObject *key)
{
    if (PyContextVar_CheckExact(key)) return 0;
    PyErr_Format(PyExc_TypeError, "a ContextVar key was expected, got %R", key);
    return -1;
}

/* BORROWED, or NULL without exception. key: a ContextVar. */
static PyObject *context_peek(PyObject *self, PyObject *key) { return hamt_peek(&((PyContext *)self)->vars, key, ((PyContextVar *)key)->hash); }

static PyObject *context_getitem(PyObject *self, PyObject *key)
{
    if (key_check(key) < 0) return NULL;
    PyObject *v = context_peek(self, key);
    if (!v) PyErr_SetObject(PyExc_KeyError, key);
    return Py_XNewRef(v);
}

static int context_contains(PyObject *self, PyObject *key) { return key_check(key) < 0 ? -1 : context_peek(self, key) != NULL; }
static Py_ssize_t context_length(PyObject *self) { return ((PyContext *)self)->vars.count; }
static PyObject *context_iter(PyObject *self) { return hamt_iterator(&((PyContext *)self)->vars, HAMT_KEYS); }

static PyObject *context_richcompare(PyObject *a, PyObject *b, int op)
{
    if (!PyContext_CheckExact(a) || !PyContext_CheckExact(b) || (op != Py_EQ && op != Py_NE)) Py_RETURN_NOTIMPLEMENTED;
    int equal = hamt_equal(&((PyContext *)a)->vars, &((PyContext *)b)->vars);
    return equal < 0 ? NULL : PyBool_FromLong(equal == (op == Py_EQ));
}

BUILTIN(context, get, POSITIONAL, "($self, key, default=None, /)", "Return the value for `key` if `key` has the value in the context object.")
{
    if (key_check(arg[0]) < 0) return NULL;
    PyObject *v = context_peek(self, arg[0]);
    return Py_NewRef(v ? v : arg[1] ? arg[1] : Py_None);
}
BUILTIN_NOARGS(context, items, "($self, /)", "Return all variables and their values in the context object.") { return hamt_iterator(&((PyContext *)self)->vars, HAMT_ITEMS); }
BUILTIN_NOARGS(context, keys, "($self, /)", "Return a list of all variables in the context object.") { return hamt_iterator(&((PyContext *)self)->vars, HAMT_KEYS); }
BUILTIN_NOARGS(context, values, "($self, /)", "Return a list of all variables' values in the context object.") { return hamt_iterator(&((PyContext *)self)->vars, HAMT_VALUES); }
BUILTIN_NOARGS(context, copy, "($self, /)", "Return a shallow copy of the context object.") { return PyContext_Copy(self); }
static PyObject *context_run(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    if (nargs < 1) {
        PyErr_SetString(PyExc_TypeError, "run() missing 1 required positional argument");
        return NULL;
    }
    if (PyContext_Enter(self) < 0) return NULL;
    PyObject *result = PyObject_Vectorcall(args[0], args + 1, (size_t)(nargs - 1), kwnames);
    if (PyContext_Exit(self) < 0) Py_CLEAR(result);
    return result;
}

static PyMethodDef context_methods[] = {
    METHOD(context, get), METHOD(context, items), METHOD(context, keys), METHOD(context, values), METHOD(context, copy),
    {"run", (PyCFunction)(void (*)(void))context_run, METH_FASTCALL | METH_KEYWORDS, NULL}, {0},
};
static PySequenceMethods context_sequence = {.sq_contains = context_contains};
static PyMappingMethods context_mapping = {.mp_length = context_length, .mp_subscript = context_getitem};

PyTypeObject PyContext_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "_contextvars.Context",
    .tp_basicsize = sizeof(PyContext),
    .tp_dealloc = (destructor)context_dealloc,
    .tp_as_sequence = &context_sequence,
    .tp_as_mapping = &context_mapping,
    .tp_hash = PyObject_HashNotImplemented,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = (traverseproc)context_traverse,
    .tp_clear = (inquiry)context_clear,
    .tp_richcompare = context_richcompare,
    .tp_weaklistoffset = offsetof(PyContext, weakrefs),
    .tp_iter = context_iter,
    .tp_methods = context_methods,
    .tp_new = context_new,
};

/* ---- variables --------------------------------------------------------------------------------------------------------------- */

static PyContextVar *var_make(PyObject *name, PyObject *fallback)
{
    if (!PyUnicode_Check(name)) {
        PyErr_SetString(PyExc_TypeError, "context variable name must be a str");
        return NULL;
    }
    Py_hash_t name_hash = PyObject_Hash(name);
    if (name_hash == -1) return NULL;
    PyContextVar *var = PyObject_GC_New(PyContextVar, &PyContextVar_Type);
    if (!var) return NULL;
    var->name = Py_NewRef(name);
    var->fallback = Py_XNewRef(fallback);
    var->cached = NULL;
    var->cached_thread = var->cached_version = 0;
    var->hash = (Py_hash_t)((uintptr_t)var >> 4) ^ name_hash;
    if (var->hash == -1) var->hash = -2;
    PyObject_GC_Track(var);
    return var;
}

PyObject *PyContextVar_New(const char *name, PyObject *fallback)
{
    PyObject *str = PyUnicode_FromString(name);
    if (!str) return NULL;
    PyContextVar *var = var_make(str, fallback);
    Py_DECREF(str);
    return (PyObject *)var;
}

static PyContextVar *var_check(PyObject *o)
{
    if (PyContextVar_CheckExact(o)) return (PyContextVar *)o;
    PyErr_SetString(PyExc_TypeError, "an instance of ContextVar was expected");
    return NULL;
}

int PyContextVar_Get(PyObject *o, PyObject *fallback, PyObject **value)
{
    PyContextVar *var = var_check(o);
    *value = NULL;
    if (!var) return -1;
    PyThreadState *ts = PyThreadState_GET();
    if (ts->context) {
        if (var->cached && var->cached_thread == ts->id && var->cached_version == ts->context_ver) {
            *value = Py_NewRef(var->cached);
            return 0;
        }
        PyObject *found = context_peek(ts->context, o);
        if (found) {
            var->cached = found;
            var->cached_thread = ts->id;
            var->cached_version = ts->context_ver;
            *value = Py_NewRef(found);
            return 0;
        }
    }
    *value = Py_XNewRef(fallback ? fallback : var->fallback);
    return 0;
}

PyObject *PyContextVar_Set(PyObject *o, PyObject *value)
{
    PyContextVar *var = var_check(o);
    if (!var) return NULL;
    PyThreadState *ts = PyThreadState_GET();
    PyContext *c = context_current(ts);
    PyContextToken *token = c ? PyObject_GC_New(PyContextToken, &PyContextToken_Type) : NULL;
    if (!token) return NULL;
    token->context = (PyContext *)Py_NewRef(c);
    token->var = (PyContextVar *)Py_NewRef(var);
    token->old = NULL;
    token->used = false;
    PyObject_GC_Track(token);
    if (hamt_set(&c->vars, o, value, &token->old) < 0) {
        Py_DECREF(token);
        return NULL;
    }
    var->cached = value;
    var->cached_thread = ts->id;
    var->cached_version = ts->context_ver;
    return (PyObject *)token;
}

int PyContextVar_Reset(PyObject *o, PyObject *t)
{
    PyContextVar *var = var_check(o);
    if (!var) return -1;
    if (!PyContextToken_CheckExact(t)) {
        PyErr_Format(PyExc_TypeError, "expected an instance of Token, got %R", t);
        return -1;
    }
    PyContextToken *token = (PyContextToken *)t;
    if (token->used) {
        PyErr_Format(PyExc_RuntimeError, "%R has already been used once", t);
        return -1;
    }
    if (token->var != var) {
        PyErr_Format(PyExc_ValueError, "%R was created by a different ContextVar", t);
        return -1;
    }
    PyContext *c = context_current(PyThreadState_GET());
    if (!c) return -1;
    if (c != token->context) {
        PyErr_Format(PyExc_ValueError, "%R was created in a different Context", t);
        return -1;
    }
    token->used = true;
    var->cached = NULL;
    PyObject *before;
    int status = token->old ? hamt_set(&c->vars, o, token->old, &before) : hamt_remove(&c->vars, o, &before);
    Py_XDECREF(before);
    if (status == 0 && !token->old) {
        PyErr_SetObject(PyExc_LookupError, o);
        return -1;
    }
    return status < 0 ? -1 : 0;
}

static PyObject *var_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static const char *const names[] = {"", "default", NULL};
    PyObject *name, *fallback = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|$O:ContextVar", (char **)(uintptr_t)names, &name, &fallback)) return NULL;
    return (PyObject *)var_make(name, fallback);
}

static int var_clear(PyContextVar *var)
{
    Py_CLEAR(var->name);
    Py_CLEAR(var->fallback);
    var->cached = NULL;
    return 0;
}

static void var_dealloc(PyContextVar *var)
{
    PyObject_GC_UnTrack(var);
    var_clear(var);
    PyObject_GC_Del(var);
}

static int var_traverse(PyContextVar *var, visitproc visit, void *arg)
{
    Py_VISIT(var->name);
    Py_VISIT(var->fallback);
    return 0;
}

static Py_hash_t var_hash(PyContextVar *var) { return var->hash; }

static PyObject *var_repr(PyContextVar *var)
{
    if (!var->fallback) return PyUnicode_FromFormat("<ContextVar name=%R at %p>", var->name, var);
    int entered = Py_ReprEnter((PyObject *)var);
    if (entered) return entered < 0 ? NULL : PyUnicode_FromFormat("<ContextVar name=%R default=... at %p>", var->name, var);
    PyObject *text = PyUnicode_FromFormat("<ContextVar name=%R default=%R at %p>", var->name, var->fallback, var);
    Py_ReprLeave((PyObject *)var);
    return text;
}

static PyObject *var_get(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    if (nargs > 1) {
        PyErr_Format(PyExc_TypeError, "get expected at most 1 argument, got %zd", nargs);
        return NULL;
    }
    PyObject *v;
    if (PyContextVar_Get(self, nargs ? args[0] : NULL, &v) < 0) return NULL;
    if (!v) PyErr_SetObject(PyExc_LookupError, self);
    return v;
}
BUILTIN_O(var, set, "($self, value, /)", "Call to set a new value for the context variable in the current context.") { return PyContextVar_Set(self, arg); }
BUILTIN_O(var, reset, "($self, token, /)", "Reset the context variable.") { return PyContextVar_Reset(self, arg) < 0 ? NULL : Py_NewRef(Py_None); }

static PyMethodDef var_methods[] = {
    {"get", (PyCFunction)(void (*)(void))var_get, METH_FASTCALL, "Return a value for the context variable for the current context."},
    METHOD(var, set), METHOD(var, reset),
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, "See PEP 585"},
    {0},
};
static PyMemberDef var_members[] = { {"name", _Py_T_OBJECT, offsetof(PyContextVar, name), Py_READONLY}, {0} };

PyTypeObject PyContextVar_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "_contextvars.ContextVar",
    .tp_basicsize = sizeof(PyContextVar),
    .tp_dealloc = (destructor)var_dealloc,
    .tp_repr = (reprfunc)var_repr,
    .tp_hash = (hashfunc)var_hash,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = (traverseproc)var_traverse,
    .tp_clear = (inquiry)var_clear,
    .tp_methods = var_methods,
    .tp_members = var_members,
    .tp_new = var_new,
};

/* ---- tokens ----------------------------------------------------------------------------------------------------------------- */

static PyObject *missing_repr(PyObject *self) { return PyUnicode_FromString("<Token.MISSING>"); }

PyTypeObject context_missing_type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "Token.MISSING",
    .tp_basicsize = sizeof(PyObject),
    .tp_repr = missing_repr,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT,
};
static PyObject missing = {.ob_refcnt = _Py_IMMORTAL_REFCNT, .ob_type = &context_missing_type};

PyObject *context_token_missing(void) { return &missing; }

static PyObject *token_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyErr_SetString(PyExc_RuntimeError, "Tokens can only be created by ContextVars");
    return NULL;
}

static int token_clear(PyContextToken *t)
{
    Py_CLEAR(t->context);
    Py_CLEAR(t->var);
    Py_CLEAR(t->old);
    return 0;
}

static void token_dealloc(PyContextToken *t)
{
    PyObject_GC_UnTrack(t);
    token_clear(t);
    PyObject_GC_Del(t);
}

static int token_traverse(PyContextToken *t, visitproc visit, void *arg)
{
    Py_VISIT(t->context);
    Py_VISIT(t->var);
    Py_VISIT(t->old);
    return 0;
}

static PyObject *token_repr(PyContextToken *t) { return PyUnicode_FromFormat("<Token%s var=%R at %p>", t->used ? " used" : "", t->var, t); }
static PyObject *token_get_var(PyContextToken *t, void *c) { return Py_NewRef(t->var); }
static PyObject *token_get_old(PyContextToken *t, void *c) { return Py_NewRef(t->old ? t->old : &missing); }

static PyGetSetDef token_getset[] = { {"var", (getter)token_get_var}, {"old_value", (getter)token_get_old}, {0} };
static PyMethodDef token_methods[] = { {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, "See PEP 585"}, {0} };

PyTypeObject PyContextToken_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "_contextvars.Token",
    .tp_basicsize = sizeof(PyContextToken),
    .tp_dealloc = (destructor)token_dealloc,
    .tp_repr = (reprfunc)token_repr,
    .tp_hash = PyObject_HashNotImplemented,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = (traverseproc)token_traverse,
    .tp_clear = (inquiry)token_clear,
    .tp_methods = token_methods,
    .tp_getset = token_getset,
    .tp_new = token_new,
};
