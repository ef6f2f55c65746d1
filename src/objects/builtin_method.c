/* builtin_function_or_method: a C function bound to an object or module, and its variant that knows its defining class. */
#include "objects/type.h"

#include "capi/args.h"
#include "objects/function.h"

#define FUNC(o) ((PyCFunctionObject *)(o))

/* ---- calling ----------------------------------------------------------------------------------------------------------- */

COLD NOINLINE static void *bare_error(PyObject *func, const char *format, Py_ssize_t given)
{
    PyErr_Format(PyExc_TypeError, format, FUNC(func)->m_ml->ml_name, given);
    return NULL;
}

COLD NOINLINE static void *arity_error(PyObject *func, const char *format, Py_ssize_t given)
{
    PyObject *text = _PyObject_FunctionStr(func);
    if (text) PyErr_Format(PyExc_TypeError, format, text, given);
    Py_XDECREF(text);
    return NULL;
}

/* Functions that look at their arguments by themselves say less. */
static bool is_bare(PyObject *func) { return FUNC(func)->m_ml->ml_flags & METH_BARE_NAME; }

COLD NOINLINE void *function_refuse_keywords(PyObject *func)
{
    if (!is_bare(func) && FUNC(func)->vectorcall) return arity_error(func, "%U takes no keyword arguments", 0);
    return bare_error(func, FUNC(func)->m_ml->ml_flags & METH_NOARGS ? "%.200s() takes no arguments" : "%.200s() takes no keyword arguments", 0);
}

static inline bool no_keywords(PyObject *func, PyObject *kwnames)
{
    if (LIKELY(!kwnames || !PyTuple_GET_SIZE(kwnames))) return true;
    function_refuse_keywords(func);
    return false;
}

static inline PyObject *self_of(PyObject *func)
{
    return FUNC(func)->m_ml->ml_flags & METH_STATIC ? NULL : FUNC(func)->m_self;
}

#define ML_METH(o, type) ((type)(void (*)(void))FUNC(o)->m_ml->ml_meth)

static PyObject *vectorcall_fast(PyObject *func, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    Thread *t = thread_get();
    if (!no_keywords(func, kwnames) || c_call_enter(t, " while calling a Python object")) return NULL;
    PyObject *result = ML_METH(func, PyCFunctionFast)(self_of(func), args, PyVectorcall_NARGS(nargsf));
    c_call_leave(t);
    return result;
}

static PyObject *vectorcall_fast_keywords(PyObject *func, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    Thread *t = thread_get();
    if (c_call_enter(t, " while calling a Python object")) return NULL;
    PyObject *result = ML_METH(func, PyCFunctionFastWithKeywords)(self_of(func), args, PyVectorcall_NARGS(nargsf), kwnames);
    c_call_leave(t);
    return result;
}

static PyObject *vectorcall_class(PyObject *func, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    Thread *t = thread_get();
    if (c_call_enter(t, " while calling a Python object")) return NULL;
    PyTypeObject *cls = ((PyCMethodObject *)func)->mm_class;
    PyObject *result = ML_METH(func, PyCMethod)(self_of(func), cls, args, (size_t)PyVectorcall_NARGS(nargsf), kwnames);
    c_call_leave(t);
    return result;
}

static PyObject *vectorcall_noargs(PyObject *func, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    Thread *t = thread_get();
    (void)args;
    Py_ssize_t n = PyVectorcall_NARGS(nargsf);
    if (!no_keywords(func, kwnames)) return NULL;
    if (UNLIKELY(n != 0)) {
        if (is_bare(func)) return bare_error(func, "%.200s() takes no arguments", n);
        return arity_error(func, "%U takes no arguments (%zd given)", n);
    }
    if (c_call_enter(t, " while calling a Python object")) return NULL;
    PyObject *result = FUNC(func)->m_ml->ml_meth(self_of(func), NULL);
    c_call_leave(t);
    return result;
}

static PyObject *vectorcall_o(PyObject *func, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    Thread *t = thread_get();
    Py_ssize_t n = PyVectorcall_NARGS(nargsf);
    if (!no_keywords(func, kwnames)) return NULL;
    if (UNLIKELY(n != 1)) {
        if (is_bare(func)) return bare_error(func, "%.200s() takes exactly 1 argument (%zd given)", n);
        return arity_error(func, "%U takes exactly one argument (%zd given)", n);
    }
    if (c_call_enter(t, " while calling a Python object")) return NULL;
    PyObject *result = FUNC(func)->m_ml->ml_meth(self_of(func), args[0]);
    c_call_leave(t);
    return result;
}

/* With a tuple: METH_VARARGS has no vectorcall. The caller has checked the recursion. */
static PyObject *function_call(PyObject *func, PyObject *args, PyObject *kwds)
{
    if (FUNC(func)->vectorcall) return PyVectorcall_Call(func, args, kwds);
    if (FUNC(func)->m_ml->ml_flags & METH_KEYWORDS) return ML_METH(func, PyCFunctionWithKeywords)(self_of(func), args, kwds);
    if (kwds && PyDict_GET_SIZE(kwds)) return function_refuse_keywords(func);
    return FUNC(func)->m_ml->ml_meth(self_of(func), args);
}

PyAPI_FUNC(PyObject *) PyCFunction_Call(PyObject *func, PyObject *args, PyObject *kwds);
PyObject *PyCFunction_Call(PyObject *func, PyObject *args, PyObject *kwds) { return PyObject_Call(func, args, kwds); }

/* ---- making ------------------------------------------------------------------------------------------------------------ */

PyObject *PyCMethod_New(PyMethodDef *ml, PyObject *self, PyObject *module, PyTypeObject *cls)
{
    vectorcallfunc vectorcall;
    switch (ml->ml_flags & (METH_VARARGS | METH_FASTCALL | METH_NOARGS | METH_O | METH_KEYWORDS | METH_METHOD)) {
    case METH_VARARGS: case METH_VARARGS | METH_KEYWORDS: vectorcall = NULL; break;
    case METH_FASTCALL: vectorcall = vectorcall_fast; break;
    case METH_FASTCALL | METH_KEYWORDS: vectorcall = vectorcall_fast_keywords; break;
    case METH_NOARGS: vectorcall = vectorcall_noargs; break;
    case METH_O: vectorcall = vectorcall_o; break;
    case METH_METHOD | METH_FASTCALL | METH_KEYWORDS: vectorcall = vectorcall_class; break;
    default:
        PyErr_Format(PyExc_SystemError, "%s() method: bad call flags", ml->ml_name);
        return NULL;
    }
    PyCFunctionObject *f;
    if (ml->ml_flags & METH_METHOD) {
        if (!cls) {
            PyErr_SetString(PyExc_SystemError, "attempting to create PyCMethod with a METH_METHOD flag but no class");
            return NULL;
        }
        PyCMethodObject *m = PyObject_GC_New(PyCMethodObject, &PyCMethod_Type);
        if (!m) return NULL;
        m->mm_class = (PyTypeObject *)Py_NewRef(cls);
        f = &m->func;
    }
    else {
        if (cls) {
            PyErr_SetString(PyExc_SystemError, "attempting to create PyCFunction with class but no METH_METHOD flag");
            return NULL;
        }
        if (!(f = PyObject_GC_New(PyCFunctionObject, &PyCFunction_Type))) return NULL;
    }
    f->m_weakreflist = NULL;
    f->m_ml = ml;
    f->m_self = Py_XNewRef(self);
    f->m_module = Py_XNewRef(module);
    f->vectorcall = vectorcall;
    PyObject_GC_Track(f);
    return OBJECT(f);
}

PyObject *(PyCFunction_New)(PyMethodDef *ml, PyObject *self) { return PyCMethod_New(ml, self, NULL, NULL); }
PyObject *(PyCFunction_NewEx)(PyMethodDef *ml, PyObject *self, PyObject *module) { return PyCMethod_New(ml, self, module, NULL); }

PyCFunction PyCFunction_GetFunction(PyObject *o)
{
    if (PyCFunction_Check(o)) return FUNC(o)->m_ml->ml_meth;
    PyErr_BadInternalCall();
    return NULL;
}

PyObject *PyCFunction_GetSelf(PyObject *o)
{
    if (PyCFunction_Check(o)) return self_of(o);
    PyErr_BadInternalCall();
    return NULL;
}

int PyCFunction_GetFlags(PyObject *o)
{
    if (PyCFunction_Check(o)) return FUNC(o)->m_ml->ml_flags;
    PyErr_BadInternalCall();
    return -1;
}

/* ---- the type ------------------------------------------------------------------------------------------------------------ */

static void function_dealloc(PyObject *self)
{
    PyCFunctionObject *f = FUNC(self);
    PyObject_GC_UnTrack(self);
    if (f->m_weakreflist) PyObject_ClearWeakRefs(self);
    if (f->m_ml->ml_flags & METH_METHOD) Py_XDECREF(((PyCMethodObject *)self)->mm_class);
    Py_XDECREF(f->m_self);
    Py_XDECREF(f->m_module);
    PyObject_GC_Del(self);
}

static int function_traverse(PyObject *self, visitproc visit, void *arg)
{
    if (FUNC(self)->m_ml->ml_flags & METH_METHOD) Py_VISIT(((PyCMethodObject *)self)->mm_class);
    Py_VISIT(FUNC(self)->m_self);
    Py_VISIT(FUNC(self)->m_module);
    return 0;
}

static bool is_module_level(PyObject *self) { return !FUNC(self)->m_self || PyModule_Check(FUNC(self)->m_self); }

static PyObject *function_repr(PyObject *self)
{
    const char *name = FUNC(self)->m_ml->ml_name;
    PyObject *o = FUNC(self)->m_self;
    if (is_module_level(self)) return PyUnicode_FromFormat("<built-in function %s>", name);
    return PyUnicode_FromFormat("<built-in method %s of %s object at %p>", name, Py_TYPE(o)->tp_name, o);
}

static Py_hash_t pointer_hash(const void *p)
{
    uintptr_t a = (uintptr_t)p;
    return (Py_hash_t)((a >> 4) | (a << (8 * sizeof a - 4)));
}

static Py_hash_t function_hash(PyObject *self)
{
    Py_hash_t h = pointer_hash(FUNC(self)->m_self) ^ pointer_hash((void *)FUNC(self)->m_ml->ml_meth);
    return h == -1 ? -2 : h;
}

static PyObject *function_richcompare(PyObject *a, PyObject *b, int op)
{
    if ((op != Py_EQ && op != Py_NE) || !PyCFunction_Check(a) || !PyCFunction_Check(b)) Py_RETURN_NOTIMPLEMENTED;
    bool equal = FUNC(a)->m_self == FUNC(b)->m_self && FUNC(a)->m_ml->ml_meth == FUNC(b)->m_ml->ml_meth;
    return PyBool_FromLong(equal == (op == Py_EQ));
}

static PyObject *get_doc(PyObject *self, void *Py_UNUSED(c)) { return type_find_doc(FUNC(self)->m_ml->ml_name, FUNC(self)->m_ml->ml_doc); }
static PyObject *get_name(PyObject *self, void *Py_UNUSED(c)) { return PyUnicode_FromString(FUNC(self)->m_ml->ml_name); }
static PyObject *get_self(PyObject *self, void *Py_UNUSED(c))
{
    PyObject *o = self_of(self);
    return Py_NewRef(o ? o : Py_None);
}

static PyObject *get_text_signature(PyObject *self, void *Py_UNUSED(c))
{
    return type_method_text_signature(FUNC(self)->m_ml);
}

static PyObject *get_qualname(PyObject *self, void *Py_UNUSED(c))
{
    const char *name = FUNC(self)->m_ml->ml_name;
    PyObject *o = FUNC(self)->m_self;
    if (is_module_level(self)) return PyUnicode_FromString(name);
    PyObject *type_name = PyObject_GetAttr(PyType_Check(o) ? o : OBJECT(Py_TYPE(o)), STR(__qualname__)), *result = NULL;
    if (!type_name) return NULL;
    if (PyUnicode_Check(type_name)) result = PyUnicode_FromFormat("%S.%s", type_name, name);
    else PyErr_SetString(PyExc_TypeError, "<method>.__class__.__qualname__ is not a unicode object");
    Py_DECREF(type_name);
    return result;
}

BUILTIN_NOARGS(function, __reduce__, "($self, /)", "Helper for pickle.")
{
    if (is_module_level(self)) return PyUnicode_FromString(FUNC(self)->m_ml->ml_name);
    PyObject *builtins = PyEval_GetBuiltins(), *getattr = builtins ? PyMapping_GetItemString(builtins, "getattr") : NULL;
    return getattr ? Py_BuildValue("N(Os)", getattr, FUNC(self)->m_self, FUNC(self)->m_ml->ml_name) : NULL;
}

static PyMethodDef function_methods[] = { METHOD(function, __reduce__), { NULL } };

static PyGetSetDef function_getset[] = {
    { "__doc__", get_doc, NULL, NULL, NULL },
    { "__name__", get_name, NULL, NULL, NULL },
    { "__qualname__", get_qualname, NULL, NULL, NULL },
    { "__self__", get_self, NULL, NULL, NULL },
    { "__text_signature__", get_text_signature, NULL, NULL, NULL },
    { NULL },
};

static PyMemberDef function_members[] = {
    { "__module__", _Py_T_OBJECT, offsetof(PyCFunctionObject, m_module), 0, NULL }, { NULL },
};

PyTypeObject PyCFunction_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "builtin_function_or_method",
    .tp_basicsize = sizeof(PyCFunctionObject),
    .tp_dealloc = function_dealloc,
    .tp_vectorcall_offset = offsetof(PyCFunctionObject, vectorcall),
    .tp_repr = function_repr,
    .tp_hash = function_hash,
    .tp_call = function_call,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL,
    .tp_traverse = function_traverse,
    .tp_richcompare = function_richcompare,
    .tp_weaklistoffset = offsetof(PyCFunctionObject, m_weakreflist),
    .tp_methods = function_methods,
    .tp_members = function_members,
    .tp_getset = function_getset,
};

PyTypeObject PyCMethod_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "builtin_method",
    .tp_basicsize = sizeof(PyCMethodObject),
    .tp_base = &PyCFunction_Type,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL,
    .tp_dealloc = function_dealloc,
    .tp_traverse = function_traverse,
    .tp_vectorcall_offset = offsetof(PyCFunctionObject, vectorcall),
    .tp_call = function_call,
};
