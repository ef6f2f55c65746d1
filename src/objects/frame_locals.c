/* f_locals (PEP 667): a view of a function's variables that writes through. Names that the code does not know go to a dict of
 * the frame object's; cells are looked into. */
#include "eval/eval_private.h"
#include "capi/args.h"

#define PROXY_FRAME(self) (((PyFrameLocalsProxyObject *)(self))->frame)

PyObject *frame_locals(Frame *f)
{
    PyCodeObject *co = frame_code(f);
    bool hidden = false;
    for (int i = 0; i < co->co_nlocalsplus && !hidden; i++)
        hidden = PyBytes_AS_STRING(co->co_localspluskinds)[i] & CO_FAST_HIDDEN && f->localsplus[i];
    if (!(co->co_flags & CO_OPTIMIZED) && !hidden) return Py_NewRef(f->f_locals ? f->f_locals : Py_None);
    PyFrameObject *object = frame_object(f);
    if (!object) return PyErr_NoMemory();
    PyFrameLocalsProxyObject *proxy = PyObject_GC_New(PyFrameLocalsProxyObject, &PyFrameLocalsProxy_Type);
    if (!proxy) return NULL;
    proxy->frame = (PyFrameObject *)Py_NewRef(object);
    PyObject_GC_Track(proxy);
    return (PyObject *)proxy;
}

/* ---- one variable ------------------------------------------------------------------------------------------------------------- */

/* BORROWED value of a slot, NULL when unbound or hidden. */
static PyObject *slot_value(Frame *f, PyCodeObject *co, int i)
{
    int kind = PyBytes_AS_STRING(co->co_localspluskinds)[i];
    PyObject *v = f->localsplus[i];
    if (kind & CO_FAST_FREE && !(co->co_flags & CO_OPTIMIZED)) return NULL;
    if (kind & CO_FAST_HIDDEN && !v) return NULL;
    if (!v) {
        /* free variables of a frame that has not started are still in the closure */
        if (kind & CO_FAST_FREE && frame_lasti_units(f) < co->_co_firsttraceable && PyFunction_Check(f->f_funcobj)) {
            PyObject *closure = ((PyFunctionObject *)f->f_funcobj)->func_closure;
            int at = i - (co->co_nlocalsplus - co->co_nfreevars);
            return closure && at < PyTuple_GET_SIZE(closure) ? PyCell_GET(PyTuple_GET_ITEM(closure, at)) : NULL;
        }
        return NULL;
    }
    if (kind & (CO_FAST_FREE | CO_FAST_CELL) && PyCell_Check(v) &&
        (kind & CO_FAST_FREE || frame_lasti_units(f) >= co->_co_firsttraceable || frame_lasti_units(f) > i)) return PyCell_GET(v);
    return v;
}

static PyObject *slot_cell(Frame *f, PyCodeObject *co, int i)
{
    int kind = PyBytes_AS_STRING(co->co_localspluskinds)[i];
    PyObject *v = f->localsplus[i];
    return kind & (CO_FAST_FREE | CO_FAST_CELL) && v && PyCell_Check(v) ? v : NULL;
}

/* Index of a variable, -1 none (or unbound, when reading), -2 error. */
static int find_variable(PyFrameObject *o, PyObject *key, bool reading)
{
    Frame *f = o->f_frame;
    PyCodeObject *co = frame_code(f);
    Py_hash_t hash = PyObject_Hash(key);
    if (hash == -1) return -2;
    for (int i = 0; i < co->co_nlocalsplus; i++) {
        PyObject *name = PyTuple_GET_ITEM(co->co_localsplusnames, i);
        if (name != key) {
            if (PyObject_Hash(name) != hash) continue;
            int eq = PyObject_RichCompareBool(name, key, Py_EQ);
            if (eq < 0) return -2;
            if (!eq) continue;
        }
        if (reading) {
            if (slot_value(f, co, i)) return i;
        }
        else if (!(PyBytes_AS_STRING(co->co_localspluskinds)[i] & CO_FAST_HIDDEN) || f->localsplus[i]) return i;
    }
    return -1;
}

static PyObject *proxy_getitem(PyObject *self, PyObject *key)
{
    PyFrameObject *o = PROXY_FRAME(self);
    int i = find_variable(o, key, true);
    if (i == -2) return NULL;
    if (i >= 0) return Py_NewRef(slot_value(o->f_frame, frame_code(o->f_frame), i));
    if (o->f_extra_locals) {
        PyObject *v;
        if (PyDict_GetItemRef(o->f_extra_locals, key, &v) != 0) return v;
    }
    PyErr_Format(PyExc_KeyError, "local variable '%R' is not defined", key);
    return NULL;
}

static int proxy_setitem(PyObject *self, PyObject *key, PyObject *value)
{
    PyFrameObject *o = PROXY_FRAME(self);
    Frame *f = o->f_frame;
    int i = find_variable(o, key, false);
    if (i == -2) return -1;
    if (i >= 0) {
        if (!value) {
            PyErr_SetString(PyExc_ValueError, "cannot remove local variables from FrameLocalsProxy");
            return -1;
        }
        PyObject *cell = slot_cell(f, frame_code(f), i);
        if (cell) return value == PyCell_GET(cell) ? 0 : PyCell_Set(cell, value);
        if (value != f->localsplus[i]) Py_XSETREF(f->localsplus[i], Py_NewRef(value));
        return 0;
    }
    if (!value) {
        if (o->f_extra_locals) return PyDict_DelItem(o->f_extra_locals, key);
        PyErr_SetObject(PyExc_KeyError, key);
        return -1;
    }
    if (!o->f_extra_locals && !(o->f_extra_locals = PyDict_New())) return -1;
    return PyDict_SetItem(o->f_extra_locals, key, value);
}

/* ---- all of them --------------------------------------------------------------------------------------------------------------- */

/* NEW list of names (kind 0), values (1) or pairs (2). */
static PyObject *proxy_list(PyObject *self, int kind)
{
    PyFrameObject *o = PROXY_FRAME(self);
    Frame *f = o->f_frame;
    PyCodeObject *co = frame_code(f);
    PyObject *list = PyList_New(0);
    for (int i = 0; list && i < co->co_nlocalsplus; i++) {
        PyObject *v = slot_value(f, co, i), *name = PyTuple_GET_ITEM(co->co_localsplusnames, i);
        if (!v) continue;
        PyObject *item = kind == 0 ? Py_NewRef(name) : kind == 1 ? Py_NewRef(v) : PyTuple_Pack(2, name, v);
        if (!item || PyList_Append(list, item) < 0) Py_CLEAR(list);
        Py_XDECREF(item);
    }
    if (list && o->f_extra_locals) {
        PyObject *more = kind == 0 ? PyDict_Keys(o->f_extra_locals) : kind == 1 ? PyDict_Values(o->f_extra_locals) : PyDict_Items(o->f_extra_locals);
        if (!more || PyList_Extend(list, more) < 0) Py_CLEAR(list);
        Py_XDECREF(more);
    }
    return list;
}

static PyObject *proxy_dict(PyObject *self)
{
    PyObject *items = proxy_list(self, 2), *dict = items ? PyDict_New() : NULL;
    if (dict && PyDict_MergeFromSeq2(dict, items, 1) < 0) Py_CLEAR(dict);
    Py_XDECREF(items);
    return dict;
}

static Py_ssize_t proxy_length(PyObject *self)
{
    PyFrameObject *o = PROXY_FRAME(self);
    PyCodeObject *co = frame_code(o->f_frame);
    Py_ssize_t n = o->f_extra_locals ? PyDict_GET_SIZE(o->f_extra_locals) : 0;
    for (int i = 0; i < co->co_nlocalsplus; i++) n += slot_value(o->f_frame, co, i) != NULL;
    return n;
}

static int proxy_contains(PyObject *self, PyObject *key)
{
    PyFrameObject *o = PROXY_FRAME(self);
    int i = find_variable(o, key, true);
    if (i == -2) return -1;
    if (i >= 0) return 1;
    return o->f_extra_locals ? PyDict_Contains(o->f_extra_locals, key) : 0;
}

static PyObject *proxy_iter(PyObject *self)
{
    PyObject *keys = proxy_list(self, 0), *it = keys ? PyObject_GetIter(keys) : NULL;
    Py_XDECREF(keys);
    return it;
}

static PyObject *proxy_repr(PyObject *self)
{
    int entered = Py_ReprEnter(self);
    if (entered) return entered > 0 ? PyUnicode_FromString("{...}") : NULL;
    PyObject *dict = proxy_dict(self), *text = dict ? PyObject_Repr(dict) : NULL;
    Py_XDECREF(dict);
    Py_ReprLeave(self);
    return text;
}

static PyObject *proxy_richcompare(PyObject *self, PyObject *other, int op)
{
    if (op != Py_EQ && op != Py_NE) Py_RETURN_NOTIMPLEMENTED;
    if (PyFrameLocalsProxy_Check(other)) return PyBool_FromLong((PROXY_FRAME(self) == PROXY_FRAME(other)) == (op == Py_EQ));
    if (!PyDict_Check(other)) Py_RETURN_NOTIMPLEMENTED;
    PyObject *dict = proxy_dict(self), *result = dict ? PyObject_RichCompare(dict, other, op) : NULL;
    Py_XDECREF(dict);
    return result;
}

/* ---- merging -------------------------------------------------------------------------------------------------------------------- */

static int proxy_merge(PyObject *self, PyObject *other)
{
    if (!PyDict_Check(other) && !PyFrameLocalsProxy_Check(other)) return -1;
    PyObject *keys = PyMapping_Keys(other), *it = keys ? PyObject_GetIter(keys) : NULL, *key;
    int status = it ? 0 : -1;
    while (status == 0 && (key = PyIter_Next(it))) {
        PyObject *v = PyObject_GetItem(other, key);
        status = v ? proxy_setitem(self, key, v) : -1;
        Py_XDECREF(v);
        Py_DECREF(key);
    }
    Py_XDECREF(it);
    Py_XDECREF(keys);
    return status < 0 || PyErr_Occurred() ? -1 : 0;
}

static bool mergeable(PyObject *o) { return PyDict_Check(o) || PyFrameLocalsProxy_Check(o); }

static PyObject *proxy_or(PyObject *a, PyObject *b)
{
    if (!mergeable(a) || !mergeable(b)) Py_RETURN_NOTIMPLEMENTED;
    PyObject *dict = PyDict_New();
    if (dict && (PyDict_Update(dict, a) < 0 || PyDict_Update(dict, b) < 0)) Py_CLEAR(dict);
    return dict;
}

static PyObject *proxy_inplace_or(PyObject *self, PyObject *other)
{
    if (!mergeable(other)) Py_RETURN_NOTIMPLEMENTED;
    if (proxy_merge(self, other) < 0) Py_RETURN_NOTIMPLEMENTED;
    return Py_NewRef(self);
}

BUILTIN_O(proxy, update, "($self, object, /)", "Store all items of a mapping.")
{
    if (proxy_merge(self, arg) < 0) {
        if (!PyErr_Occurred()) PyErr_SetString(PyExc_TypeError, "update() argument must be dict or another FrameLocalsProxy");
        return NULL;
    }
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(proxy, keys, "($self, /)", "The names.") { return proxy_list(self, 0); }
BUILTIN_NOARGS(proxy, values, "($self, /)", "The values.") { return proxy_list(self, 1); }
BUILTIN_NOARGS(proxy, items, "($self, /)", "Pairs of name and value.") { return proxy_list(self, 2); }
BUILTIN_NOARGS(proxy, copy, "($self, /)", "A dict of the variables as they are now.") { return proxy_dict(self); }
BUILTIN_O(proxy, __contains__, "($self, key, /)", "Is there a variable of that name?")
{
    int found = proxy_contains(self, arg);
    return found < 0 ? NULL : PyBool_FromLong(found);
}
BUILTIN_O(proxy, __getitem__, "($self, key, /)", "The value of a variable.") { return proxy_getitem(self, arg); }

BUILTIN(proxy, get, POSITIONAL, "($self, key, default=None, /)", "The value of a variable, or a default.")
{
    PyObject *v = proxy_getitem(self, arg[0]);
    if (v || !PyErr_ExceptionMatches(PyExc_KeyError)) return v;
    PyErr_Clear();
    return Py_NewRef(arg[1] ? arg[1] : Py_None);
}

BUILTIN(proxy, setdefault, POSITIONAL, "($self, key, default=None, /)", "The value of a variable; stores a default when there is none.")
{
    PyObject *v = proxy_getitem(self, arg[0]);
    if (v || !PyErr_ExceptionMatches(PyExc_KeyError)) return v;
    PyErr_Clear();
    v = arg[1] ? arg[1] : Py_None;
    return proxy_setitem(self, arg[0], v) < 0 ? NULL : Py_NewRef(v);
}

BUILTIN(proxy, pop, POSITIONAL, "($self, key, default=None, /)", "Remove an extra name; variables cannot be removed.")
{
    PyFrameObject *o = PROXY_FRAME(self);
    int i = find_variable(o, arg[0], false);
    if (i == -2) return NULL;
    if (i >= 0) {
        PyErr_SetString(PyExc_ValueError, "cannot remove local variables from FrameLocalsProxy");
        return NULL;
    }
    PyObject *v = NULL;
    if (o->f_extra_locals && PyDict_Pop(o->f_extra_locals, arg[0], &v) < 0) return NULL;
    if (v) return v;
    if (arg[1]) return Py_NewRef(arg[1]);
    PyErr_SetObject(PyExc_KeyError, arg[0]);
    return NULL;
}

BUILTIN_NOARGS(proxy, __reversed__, "($self, /)", "The names from last to first.")
{
    PyObject *keys = proxy_list(self, 0);
    if (keys && PyList_Reverse(keys) < 0) Py_CLEAR(keys);
    return keys;
}

static PyMethodDef proxy_methods[] = {
    METHOD_COEXIST(proxy, __contains__), METHOD_COEXIST(proxy, __getitem__), METHOD(proxy, update), METHOD(proxy, __reversed__),
    METHOD(proxy, copy), METHOD(proxy, keys), METHOD(proxy, values), METHOD(proxy, items), METHOD(proxy, get), METHOD(proxy, pop),
    METHOD(proxy, setdefault), {0},
};

/* ---- the type ---------------------------------------------------------------------------------------------------------------------- */

static PyObject *proxy_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    if (PyTuple_GET_SIZE(args) != 1) {
        PyErr_Format(PyExc_TypeError, "FrameLocalsProxy expected 1 argument, got %zd", PyTuple_GET_SIZE(args));
        return NULL;
    }
    PyObject *frame = PyTuple_GET_ITEM(args, 0);
    if (!PyFrame_Check(frame)) {
        PyErr_Format(PyExc_TypeError, "expect frame, not %T", frame);
        return NULL;
    }
    if (kwargs && PyDict_GET_SIZE(kwargs)) {
        PyErr_SetString(PyExc_TypeError, "FrameLocalsProxy takes no keyword arguments");
        return NULL;
    }
    PyFrameLocalsProxyObject *proxy = PyObject_GC_New(PyFrameLocalsProxyObject, type);
    if (!proxy) return NULL;
    proxy->frame = (PyFrameObject *)Py_NewRef(frame);
    PyObject_GC_Track(proxy);
    return (PyObject *)proxy;
}

static void proxy_dealloc(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    Py_CLEAR(PROXY_FRAME(self));
    PyObject_GC_Del(self);
}

static int proxy_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(PROXY_FRAME(self));
    return 0;
}

static int proxy_clear(PyObject *self)
{
    Py_CLEAR(PROXY_FRAME(self));
    return 0;
}

static PyMappingMethods proxy_mapping = {proxy_length, proxy_getitem, proxy_setitem};
static PySequenceMethods proxy_sequence = {.sq_contains = proxy_contains};
static PyNumberMethods proxy_number = {.nb_or = proxy_or, .nb_inplace_or = proxy_inplace_or};

PyTypeObject PyFrameLocalsProxy_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "FrameLocalsProxy",
    .tp_basicsize = sizeof(PyFrameLocalsProxyObject),
    .tp_dealloc = proxy_dealloc,
    .tp_repr = proxy_repr,
    .tp_as_number = &proxy_number,
    .tp_as_sequence = &proxy_sequence,
    .tp_as_mapping = &proxy_mapping,
    .tp_hash = PyObject_HashNotImplemented,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_setattro = PyObject_GenericSetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_MAPPING,
    .tp_traverse = proxy_traverse,
    .tp_clear = proxy_clear,
    .tp_richcompare = proxy_richcompare,
    .tp_iter = proxy_iter,
    .tp_methods = proxy_methods,
    .tp_new = proxy_new,
};

/* ---- PyFrame_GetVar --------------------------------------------------------------------------------------------------------------- */

PyObject *PyFrame_GetVar(PyFrameObject *o, PyObject *name)
{
    if (!PyUnicode_Check(name)) {
        PyErr_Format(PyExc_TypeError, "name must be str, not %s", Py_TYPE(name)->tp_name);
        return NULL;
    }
    int i = find_variable(o, name, true);
    if (i >= 0) return Py_NewRef(slot_value(o->f_frame, frame_code(o->f_frame), i));
    if (i == -1) PyErr_Format(PyExc_NameError, "variable %R does not exist", name);
    return NULL;
}

PyObject *PyFrame_GetVarString(PyFrameObject *o, const char *name)
{
    PyObject *str = PyUnicode_FromString(name);
    if (!str) return NULL;
    PyObject *v = PyFrame_GetVar(o, str);
    Py_DECREF(str);
    return v;
}
