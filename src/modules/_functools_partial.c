/* functools.partial: a callable with arguments put in front. */
#include "modules/_functools.h"

#include <structmember.h>

typedef struct Partial {
    PyObject_HEAD
    PyObject *function, *args, *keywords;     /* a callable, an exact tuple, a dict */
    PyObject *dict, *weakreflist;
    vectorcallfunc vectorcall;                /* NULL when function has none */
} Partial;

#define PARTIAL(o) ((Partial *)(o))

static PyObject *partial_call(PyObject *self, PyObject *args, PyObject *kwargs);

/* Our arguments in front of those of the call. */
static PyObject *partial_vectorcall(PyObject *o, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    enum { ON_STACK = 8 };
    Partial *self = PARTIAL(o);
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf), nkw = kwnames ? PyTuple_GET_SIZE(kwnames) : 0;
    Py_ssize_t mine = PyTuple_GET_SIZE(self->args), n = mine + nargs + nkw;
    PyObject *small[ON_STACK + 1], **vector = small, *result = NULL, *keywords = NULL;
    if (PyDict_GET_SIZE(self->keywords)) {                 /* ours first, those of the call win */
        if (!(keywords = PyDict_Copy(self->keywords))) return NULL;
        for (Py_ssize_t i = 0; i < nkw; i++) {
            if (PyDict_SetItem(keywords, PyTuple_GET_ITEM(kwnames, i), args[nargs + i]) < 0) goto done;
        }
        n -= nkw;
    }
    else if (mine == 0) return PyObject_Vectorcall(self->function, args, nargsf, kwnames);
    if (n > ON_STACK && !(vector = PyMem_Malloc((size_t)(n + 1) * sizeof(PyObject *)))) {
        PyErr_NoMemory();
        goto done;
    }
    PyObject **stack = vector + 1;                         /* the callee may use the place in front */
    memcpy(stack, ((PyTupleObject *)self->args)->ob_item, (size_t)mine * sizeof(PyObject *));
    if (n > mine) memcpy(stack + mine, args, (size_t)(n - mine) * sizeof(PyObject *));
    size_t count = (size_t)(mine + nargs) | PY_VECTORCALL_ARGUMENTS_OFFSET;
    result = keywords ? PyObject_VectorcallDict(self->function, stack, count, keywords)
                      : PyObject_Vectorcall(self->function, stack, count, kwnames);
    if (vector != small) PyMem_Free(vector);
done:
    Py_XDECREF(keywords);
    return result;
}

static PyObject *partial_call(PyObject *o, PyObject *args, PyObject *kwargs)
{
    Partial *self = PARTIAL(o);
    PyObject *all, *keywords, *result = NULL;
    if (PyDict_GET_SIZE(self->keywords) == 0) keywords = Py_XNewRef(kwargs);
    else {
        if (!(keywords = PyDict_Copy(self->keywords))) return NULL;
        if (kwargs && PyDict_Update(keywords, kwargs) < 0) {
            Py_DECREF(keywords);
            return NULL;
        }
    }
    if ((all = PySequence_Concat(self->args, args))) {
        result = PyObject_Call(self->function, all, keywords);
        Py_DECREF(all);
    }
    Py_XDECREF(keywords);
    return result;
}

static void choose_vectorcall(Partial *self)
{
    self->vectorcall = PyVectorcall_Function(self->function) ? partial_vectorcall : NULL;
}

/* A partial of a partial that carries no attributes becomes one. */
static PyObject *partial_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *function, *front = NULL, *keywords = NULL, *mine;
    if (PyTuple_GET_SIZE(args) < 1) {
        PyErr_SetString(PyExc_TypeError, "type 'partial' takes at least one argument");
        return NULL;
    }
    function = PyTuple_GET_ITEM(args, 0);
    if (Py_TYPE(function)->tp_call == partial_call && !PARTIAL(function)->dict) {
        front = PARTIAL(function)->args;
        keywords = PARTIAL(function)->keywords;
        function = PARTIAL(function)->function;
    }
    if (!PyCallable_Check(function)) {
        PyErr_SetString(PyExc_TypeError, "the first argument must be callable");
        return NULL;
    }
    Partial *self = (Partial *)type->tp_alloc(type, 0);
    if (!self) return NULL;
    self->function = Py_NewRef(function);
    if (!(mine = PyTuple_GetSlice(args, 1, PY_SSIZE_T_MAX))) goto fail;
    if (!front) self->args = mine;
    else {
        self->args = PySequence_Concat(front, mine);
        Py_DECREF(mine);
        if (!self->args) goto fail;
    }
    self->keywords = keywords ? PyDict_Copy(keywords) : kwargs ? PyDict_Copy(kwargs) : PyDict_New();
    if (!self->keywords || (keywords && kwargs && PyDict_Update(self->keywords, kwargs) < 0)) goto fail;
    choose_vectorcall(self);
    return (PyObject *)self;
fail:
    Py_DECREF(self);
    return NULL;
}

static int partial_traverse(PyObject *o, visitproc visit, void *arg)
{
    VISIT_TYPE(o);
    Py_VISIT(PARTIAL(o)->function);
    Py_VISIT(PARTIAL(o)->args);
    Py_VISIT(PARTIAL(o)->keywords);
    Py_VISIT(PARTIAL(o)->dict);
    return 0;
}

static int partial_clear(PyObject *o)
{
    Py_CLEAR(PARTIAL(o)->function);
    Py_CLEAR(PARTIAL(o)->args);
    Py_CLEAR(PARTIAL(o)->keywords);
    Py_CLEAR(PARTIAL(o)->dict);
    return 0;
}

static void partial_dealloc(PyObject *o)
{
    PyObject_GC_UnTrack(o);
    if (PARTIAL(o)->weakreflist) PyObject_ClearWeakRefs(o);
    partial_clear(o);
    free_instance(o);
}

/* ", 1, x=2" of the arguments. */
static PyObject *arguments_text(Partial *self)
{
    PyObject *text = PyUnicode_FromString(""), *args = Py_NewRef(self->args), *keywords = Py_NewRef(self->keywords), *key, *value;
    for (Py_ssize_t i = 0; text && i < PyTuple_GET_SIZE(args); i++) {
        PyObject *longer = PyUnicode_FromFormat("%U, %R", text, PyTuple_GET_ITEM(args, i));
        Py_SETREF(text, longer);
    }
    for (Py_ssize_t at = 0; text && PyDict_Next(keywords, &at, &key, &value);) {
        Py_INCREF(key);                                    /* a repr may change the dict */
        Py_INCREF(value);
        PyObject *longer = PyUnicode_FromFormat("%U, %S=%R", text, key, value);
        Py_DECREF(value);
        Py_DECREF(key);
        Py_SETREF(text, longer);
    }
    Py_DECREF(args);
    Py_DECREF(keywords);
    return text;
}

static PyObject *partial_repr(PyObject *o)
{
    int entered = Py_ReprEnter(o);
    if (entered) return entered > 0 ? PyUnicode_FromString("...") : NULL;
    PyObject *module = NULL, *name = NULL, *result = NULL, *function = Py_NewRef(PARTIAL(o)->function), *text = arguments_text(PARTIAL(o));
    if (text && (module = PyType_GetModuleName(Py_TYPE(o))) && (name = PyType_GetQualName(Py_TYPE(o))))
        result = PyUnicode_FromFormat("%S.%S(%R%U)", module, name, function, text);
    Py_XDECREF(text);
    Py_XDECREF(module);
    Py_XDECREF(name);
    Py_DECREF(function);
    Py_ReprLeave(o);
    return result;
}

static PyObject *partial_descr_get(PyObject *self, PyObject *obj, PyObject *Py_UNUSED(type))
{
    if (obj && obj != Py_None &&
        PyErr_WarnEx(PyExc_FutureWarning, "functools.partial will be a method descriptor in future Python versions; "
                                          "wrap it in staticmethod() if you want to preserve the old behavior", 1) < 0) return NULL;
    return Py_NewRef(self);
}

BUILTIN_NOARGS(partial, __reduce__, "($self, /)", "Type, arguments and state for pickling.")
{
    Partial *p = PARTIAL(self);
    return Py_BuildValue("O(O)(OOOO)", Py_TYPE(self), p->function, p->function, p->args, p->keywords, p->dict ? p->dict : Py_None);
}

BUILTIN_O(partial, __setstate__, "($self, object, /)", "Set the state that __reduce__ gave.")
{
    PyObject *function, *args, *keywords, *dict;
    if (!PyTuple_Check(arg) || PyTuple_GET_SIZE(arg) != 4) goto invalid;
    function = PyTuple_GET_ITEM(arg, 0);
    args = PyTuple_GET_ITEM(arg, 1);
    keywords = PyTuple_GET_ITEM(arg, 2);
    dict = PyTuple_GET_ITEM(arg, 3);
    if (!PyCallable_Check(function) || !PyTuple_Check(args) || (keywords != Py_None && !PyDict_Check(keywords))) goto invalid;
    if (!(args = PyTuple_CheckExact(args) ? Py_NewRef(args) : PySequence_Tuple(args))) return NULL;
    if (keywords == Py_None) keywords = PyDict_New();
    else keywords = PyDict_CheckExact(keywords) ? Py_NewRef(keywords) : PyDict_Copy(keywords);
    if (!keywords) {
        Py_DECREF(args);
        return NULL;
    }
    Partial *p = PARTIAL(self);
    SET_FIELD(p->function, Py_NewRef(function));
    SET_FIELD(p->args, args);
    SET_FIELD(p->keywords, keywords);
    SET_FIELD(p->dict, dict == Py_None ? NULL : Py_NewRef(dict));
    choose_vectorcall(p);
    Py_RETURN_NONE;
invalid:
    PyErr_SetString(PyExc_TypeError, "invalid partial state");
    return NULL;
}

static PyMethodDef partial_methods[] = { METHOD(partial, __reduce__), METHOD(partial, __setstate__), CLASS_GETITEM_METHOD, { 0 } };

static PyMemberDef partial_members[] = {
    { "func", _Py_T_OBJECT, offsetof(Partial, function), Py_READONLY, "function object to use in future partial calls" },
    { "args", _Py_T_OBJECT, offsetof(Partial, args), Py_READONLY, "tuple of arguments to future partial calls" },
    { "keywords", _Py_T_OBJECT, offsetof(Partial, keywords), Py_READONLY, "dictionary of keyword arguments to future partial calls" },
    { "__weaklistoffset__", Py_T_PYSSIZET, offsetof(Partial, weakreflist), Py_READONLY, NULL },
    { "__dictoffset__", Py_T_PYSSIZET, offsetof(Partial, dict), Py_READONLY, NULL },
    { "__vectorcalloffset__", Py_T_PYSSIZET, offsetof(Partial, vectorcall), Py_READONLY, NULL },
    { 0 },
};

static PyGetSetDef partial_getset[] = { { "__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, NULL, NULL }, { 0 } };

static PyType_Slot partial_slots[] = {
    { Py_tp_doc, "partial(func, /, *args, **keywords)\n--\n\nCreate a new function with partial application of the given arguments and keywords." },
    SLOT(tp_dealloc, partial_dealloc), SLOT(tp_repr, partial_repr), SLOT(tp_call, partial_call),
    SLOT(tp_getattro, PyObject_GenericGetAttr), SLOT(tp_setattro, PyObject_GenericSetAttr), SLOT(tp_traverse, partial_traverse),
    SLOT(tp_clear, partial_clear), SLOT(tp_methods, partial_methods), SLOT(tp_members, partial_members),
    SLOT(tp_getset, partial_getset), SLOT(tp_new, partial_new), SLOT(tp_descr_get, partial_descr_get), SLOT(tp_free, PyObject_GC_Del), { 0, NULL },
};
PyType_Spec partial_spec = {
    "functools.partial", sizeof(Partial), 0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_HAVE_VECTORCALL, partial_slots,
};
