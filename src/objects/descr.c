/* Descriptors of C types: methods, class methods, members, getsets, slot wrappers; and the bound form of the last.
 *
 * A descriptor checks that the object it is applied to has its type, then reads the C definition it points to. Those of static
 * built-in types are immortal and shared by interpreters, so they cache nothing that could belong to one. */
#include "objects/type.h"

#include "capi/args.h"
#include "memory/alloc.h"
#include "objects/function.h"
#include "objects/types_extern.h"

#define DESCR(o) ((PyDescrObject *)(o))
#define NAME_OF(o) (DESCR(o)->d_name)

/* ---- common to all ----------------------------------------------------------------------------------------------------- */

static void descr_dealloc(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    Py_XDECREF(DESCR(self)->d_type);
    Py_XDECREF(DESCR(self)->d_name);
    Py_XDECREF(DESCR(self)->d_qualname);
    PyObject_GC_Del(self);
}

static int descr_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(DESCR(self)->d_type);
    return 0;
}

COLD NOINLINE static int descr_mismatch(PyObject *self, PyObject *obj)
{
    PyErr_Format(PyExc_TypeError, "descriptor '%U' for '%.100s' objects doesn't apply to a '%.100s' object", NAME_OF(self),
                 DESCR(self)->d_type->tp_name, Py_TYPE(obj)->tp_name);
    return -1;
}

static inline int descr_check(PyObject *self, PyObject *obj)
{
    return LIKELY(PyObject_TypeCheck(obj, DESCR(self)->d_type)) ? 0 : descr_mismatch(self, obj);
}

static PyObject *get_qualname(PyObject *self, void *Py_UNUSED(c))
{
    PyDescrObject *d = DESCR(self);
    if (d->d_qualname) return Py_NewRef(d->d_qualname);
    if (!d->d_name || !PyUnicode_Check(d->d_name)) {
        PyErr_SetString(PyExc_TypeError, "<descriptor>.__name__ is not a unicode object");
        return NULL;
    }
    PyObject *type_name = PyObject_GetAttr(OBJECT(d->d_type), STR(__qualname__)), *result = NULL;
    if (!type_name) return NULL;
    if (PyUnicode_Check(type_name)) result = PyUnicode_FromFormat("%S.%S", type_name, d->d_name);
    else PyErr_SetString(PyExc_TypeError, "<descriptor>.__objclass__.__qualname__ is not a unicode object");
    Py_DECREF(type_name);
    if (result && !_Py_IsImmortal(self)) d->d_qualname = Py_NewRef(result);
    return result;
}

static PyObject *reduce_as_attribute(PyObject *owner, PyObject *name)
{
    PyObject *builtins = PyEval_GetBuiltins(), *getattr = builtins ? PyMapping_GetItemString(builtins, "getattr") : NULL;
    return getattr ? Py_BuildValue("N(OO)", getattr, owner, name) : NULL;
}

BUILTIN_NOARGS(descr, __reduce__, "($self, /)", "Helper for pickle.")
{
    return reduce_as_attribute(OBJECT(DESCR(self)->d_type), NAME_OF(self));
}

static PyMethodDef descr_methods[] = { METHOD(descr, __reduce__), { NULL } };

static PyMemberDef descr_members[] = {
    { "__objclass__", _Py_T_OBJECT, offsetof(PyDescrObject, d_type), Py_READONLY, NULL },
    { "__name__", _Py_T_OBJECT, offsetof(PyDescrObject, d_name), Py_READONLY, NULL },
    { NULL },
};

static PyObject *descr_new(PyTypeObject *descr_type, PyTypeObject *type, const char *name)
{
    PyObject *key = PyUnicode_InternFromString(name);
    if (!key) return NULL;
    PyDescrObject *d = (PyDescrObject *)PyType_GenericAlloc(descr_type, 0);
    if (!d) {
        Py_DECREF(key);
        return NULL;
    }
    d->d_type = (PyTypeObject *)Py_XNewRef(type);
    d->d_name = key;
    return OBJECT(d);
}

int PyDescr_IsData(PyObject *o) { return Py_TYPE(o)->tp_descr_set != NULL; }

/* ---- methods ----------------------------------------------------------------------------------------------------------- */

#define METHOD_DESCR(o) ((PyMethodDescrObject *)(o))

/* -1 with TypeError unless args[0] is an object of the type; *nargs without it. */
COLD NOINLINE static int method_no_self(PyObject *func)
{
    PyObject *text = _PyObject_FunctionStr(func);
    if (text) PyErr_Format(PyExc_TypeError, "unbound method %U needs an argument", text);
    Py_XDECREF(text);
    return -1;
}

COLD NOINLINE static void *arity_error(PyObject *func, const char *format, Py_ssize_t given)
{
    PyObject *text = _PyObject_FunctionStr(func);
    if (text) PyErr_Format(PyExc_TypeError, format, text, given);
    Py_XDECREF(text);
    return NULL;
}

/* METH_BARE_NAME: the function itself says how many it takes. */
COLD NOINLINE static void *count_error(PyObject *func, const char *format, const char *bare, Py_ssize_t given)
{
    PyMethodDef *def = METHOD_DESCR(func)->d_method;
    if (!(def->ml_flags & METH_BARE_NAME)) return arity_error(func, format, given);
    PyErr_Format(PyExc_TypeError, bare, def->ml_name, given);
    return NULL;
}

static inline int method_check(PyObject *func, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    if (UNLIKELY(nargs < 1)) return method_no_self(func);
    if (descr_check(func, args[0]) < 0) return -1;
    if (UNLIKELY(kwnames && PyTuple_GET_SIZE(kwnames))) {
        arity_error(func, "%U takes no keyword arguments", 0);
        return -1;
    }
    return 0;
}

#define ML_METH(o, type) ((type)(void (*)(void))METHOD_DESCR(o)->d_method->ml_meth)

static PyObject *method_vectorcall_noargs(PyObject *func, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    Thread *t = thread_get();
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    if (method_check(func, args, nargs, NULL) < 0) return NULL;
    if (UNLIKELY(kwnames && PyTuple_GET_SIZE(kwnames))) return count_error(func, "%U takes no keyword arguments", "%.200s() takes no arguments", 0);
    if (UNLIKELY(nargs != 1)) return count_error(func, "%U takes no arguments (%zd given)", "%.200s() takes no arguments", nargs - 1);
    if (c_call_enter(t, " while calling a Python object")) return NULL;
    PyObject *result = METHOD_DESCR(func)->d_method->ml_meth(args[0], NULL);
    c_call_leave(t);
    return result;
}

static PyObject *method_vectorcall_o(PyObject *func, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    Thread *t = thread_get();
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    if (method_check(func, args, nargs, kwnames) < 0) return NULL;
    if (UNLIKELY(nargs != 2)) return count_error(func, "%U takes exactly one argument (%zd given)", "%.200s() takes exactly 1 argument (%zd given)", nargs - 1);
    if (c_call_enter(t, " while calling a Python object")) return NULL;
    PyObject *result = METHOD_DESCR(func)->d_method->ml_meth(args[0], args[1]);
    c_call_leave(t);
    return result;
}

static PyObject *method_vectorcall_fast(PyObject *func, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    Thread *t = thread_get();
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    if (method_check(func, args, nargs, kwnames) < 0 || c_call_enter(t, " while calling a Python object")) return NULL;
    PyObject *result = ML_METH(func, PyCFunctionFast)(args[0], args + 1, nargs - 1);
    c_call_leave(t);
    return result;
}

static PyObject *method_vectorcall_fast_keywords(PyObject *func, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    Thread *t = thread_get();
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    if (method_check(func, args, nargs, NULL) < 0 || c_call_enter(t, " while calling a Python object")) return NULL;
    PyObject *result = ML_METH(func, PyCFunctionFastWithKeywords)(args[0], args + 1, nargs - 1, kwnames);
    c_call_leave(t);
    return result;
}

static PyObject *method_vectorcall_class(PyObject *func, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    Thread *t = thread_get();
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    if (method_check(func, args, nargs, NULL) < 0 || c_call_enter(t, " while calling a Python object")) return NULL;
    PyObject *result = ML_METH(func, PyCMethod)(args[0], DESCR(func)->d_type, args + 1, (size_t)(nargs - 1), kwnames);
    c_call_leave(t);
    return result;
}

static PyObject *tuple_from(PyObject *const *items, Py_ssize_t n)
{
    PyObject *tuple = PyTuple_New(n);
    for (Py_ssize_t i = 0; tuple && i < n; i++) PyTuple_SET_ITEM(tuple, i, Py_NewRef(items[i]));
    return tuple;
}

static PyObject *method_vectorcall_varargs(PyObject *func, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    Thread *t = thread_get();
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    PyObject *tuple, *result = NULL;
    if (method_check(func, args, nargs, kwnames) < 0 || !(tuple = tuple_from(args + 1, nargs - 1))) return NULL;
    if (!c_call_enter(t, " while calling a Python object")) {
        result = METHOD_DESCR(func)->d_method->ml_meth(args[0], tuple);
        c_call_leave(t);
    }
    Py_DECREF(tuple);
    return result;
}

static PyObject *method_vectorcall_varargs_keywords(PyObject *func, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    Thread *t = thread_get();
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    PyObject *tuple, *kwds = NULL, *result = NULL;
    if (method_check(func, args, nargs, NULL) < 0 || !(tuple = tuple_from(args + 1, nargs - 1))) return NULL;
    if (kwnames && PyTuple_GET_SIZE(kwnames)) {
        if (!(kwds = PyDict_New())) goto done;
        for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(kwnames); i++)
            if (PyDict_SetItem(kwds, PyTuple_GET_ITEM(kwnames, i), args[nargs + i]) < 0) goto done;
    }
    if (!c_call_enter(t, " while calling a Python object")) {
        result = ML_METH(func, PyCFunctionWithKeywords)(args[0], tuple, kwds);
        c_call_leave(t);
    }
done:
    Py_XDECREF(kwds);
    Py_DECREF(tuple);
    return result;
}

PyObject *PyDescr_NewMethod(PyTypeObject *type, PyMethodDef *method)
{
    vectorcallfunc vectorcall;
    switch (method->ml_flags & (METH_VARARGS | METH_FASTCALL | METH_NOARGS | METH_O | METH_KEYWORDS | METH_METHOD)) {
    case METH_VARARGS: vectorcall = method_vectorcall_varargs; break;
    case METH_VARARGS | METH_KEYWORDS: vectorcall = method_vectorcall_varargs_keywords; break;
    case METH_FASTCALL: vectorcall = method_vectorcall_fast; break;
    case METH_FASTCALL | METH_KEYWORDS: vectorcall = method_vectorcall_fast_keywords; break;
    case METH_NOARGS: vectorcall = method_vectorcall_noargs; break;
    case METH_O: vectorcall = method_vectorcall_o; break;
    case METH_METHOD | METH_FASTCALL | METH_KEYWORDS: vectorcall = method_vectorcall_class; break;
    default:
        PyErr_Format(PyExc_SystemError, "%s() method: bad call flags", method->ml_name);
        return NULL;
    }
    PyMethodDescrObject *d = (PyMethodDescrObject *)descr_new(&PyMethodDescr_Type, type, method->ml_name);
    if (!d) return NULL;
    d->d_method = method;
    d->vectorcall = vectorcall;
    return OBJECT(d);
}

static PyObject *method_repr(PyObject *self)
{
    return PyUnicode_FromFormat("<method '%U' of '%s' objects>", NAME_OF(self), DESCR(self)->d_type->tp_name);
}

static PyObject *method_get(PyObject *self, PyObject *obj, PyObject *type)
{
    if (!obj) return Py_NewRef(self);
    if (descr_check(self, obj) < 0) return NULL;
    PyMethodDef *def = METHOD_DESCR(self)->d_method;
    if (!(def->ml_flags & METH_METHOD)) return PyCFunction_NewEx(def, obj, NULL);
    if (type && !PyType_Check(type)) {
        PyErr_Format(PyExc_TypeError, "descriptor '%U' needs a type, not '%s', as arg 2", NAME_OF(self), Py_TYPE(type)->tp_name);
        return NULL;
    }
    return PyCMethod_New(def, obj, NULL, DESCR(self)->d_type);
}

static PyObject *method_get_doc(PyObject *self, void *Py_UNUSED(c))
{
    PyMethodDef *m = METHOD_DESCR(self)->d_method;
    return type_find_doc(m->ml_name, m->ml_doc);
}

static PyObject *method_get_text_signature(PyObject *self, void *Py_UNUSED(c))
{
    PyMethodDef *m = METHOD_DESCR(self)->d_method;
    return type_method_text_signature(m);
}

static PyGetSetDef method_getset[] = {
    { "__doc__", method_get_doc, NULL, NULL, NULL },
    { "__qualname__", get_qualname, NULL, NULL, NULL },
    { "__text_signature__", method_get_text_signature, NULL, NULL, NULL },
    { NULL },
};

PyTypeObject PyMethodDescr_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "method_descriptor",
    .tp_basicsize = sizeof(PyMethodDescrObject),
    .tp_dealloc = descr_dealloc,
    .tp_vectorcall_offset = offsetof(PyMethodDescrObject, vectorcall),
    .tp_repr = method_repr,
    .tp_call = PyVectorcall_Call,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_METHOD_DESCRIPTOR,
    .tp_traverse = descr_traverse,
    .tp_methods = descr_methods,
    .tp_members = descr_members,
    .tp_getset = method_getset,
    .tp_descr_get = method_get,
};

/* ---- class methods of C types --------------------------------------------------------------------------------------------- */

static PyObject *classmethod_get(PyObject *self, PyObject *obj, PyObject *type)
{
    PyTypeObject *owner = DESCR(self)->d_type;
    if (!type) {
        if (!obj) {
            PyErr_Format(PyExc_TypeError, "descriptor '%U' for type '%.100s' needs either an object or a type", NAME_OF(self), owner->tp_name);
            return NULL;
        }
        type = OBJECT(Py_TYPE(obj));
    }
    if (!PyType_Check(type)) {
        PyErr_Format(PyExc_TypeError, "descriptor '%U' for type '%.100s' needs a type, not a '%.100s' as arg 2", NAME_OF(self),
                     owner->tp_name, Py_TYPE(type)->tp_name);
        return NULL;
    }
    if (!PyType_IsSubtype((PyTypeObject *)type, owner)) {
        PyErr_Format(PyExc_TypeError, "descriptor '%U' requires a subtype of '%.100s' but received '%.100s'", NAME_OF(self),
                     owner->tp_name, ((PyTypeObject *)type)->tp_name);
        return NULL;
    }
    PyMethodDef *def = METHOD_DESCR(self)->d_method;
    return PyCMethod_New(def, type, NULL, def->ml_flags & METH_METHOD ? owner : NULL);
}

static PyObject *classmethod_call(PyObject *self, PyObject *args, PyObject *kwds)
{
    Py_ssize_t n = PyTuple_GET_SIZE(args);
    if (n < 1) {
        PyErr_Format(PyExc_TypeError, "descriptor '%U' of '%.100s' object needs an argument", NAME_OF(self), DESCR(self)->d_type->tp_name);
        return NULL;
    }
    PyObject *bound = classmethod_get(self, NULL, PyTuple_GET_ITEM(args, 0));
    if (!bound) return NULL;
    PyObject *result = PyObject_VectorcallDict(bound, ((PyTupleObject *)args)->ob_item + 1, (size_t)n - 1, kwds);
    Py_DECREF(bound);
    return result;
}

PyObject *PyDescr_NewClassMethod(PyTypeObject *type, PyMethodDef *method)
{
    PyMethodDescrObject *d = (PyMethodDescrObject *)descr_new(&PyClassMethodDescr_Type, type, method->ml_name);
    if (d) d->d_method = method;
    return OBJECT(d);
}

PyTypeObject PyClassMethodDescr_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "classmethod_descriptor",
    .tp_basicsize = sizeof(PyMethodDescrObject),
    .tp_dealloc = descr_dealloc,
    .tp_repr = method_repr,
    .tp_call = classmethod_call,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = descr_traverse,
    .tp_members = descr_members,
    .tp_getset = method_getset,
    .tp_descr_get = classmethod_get,
};

/* ---- members ------------------------------------------------------------------------------------------------------------------ */

#define MEMBER(o) (((PyMemberDescrObject *)(o))->d_member)

static PyObject *member_repr(PyObject *self)
{
    return PyUnicode_FromFormat("<member '%U' of '%s' objects>", NAME_OF(self), DESCR(self)->d_type->tp_name);
}

static PyObject *member_get(PyObject *self, PyObject *obj, PyObject *Py_UNUSED(type))
{
    if (!obj) return Py_NewRef(self);
    if (descr_check(self, obj) < 0) return NULL;
    PyMemberDef *m = MEMBER(self);
    if (UNLIKELY(m->flags & Py_AUDIT_READ) && PySys_Audit("object.__getattr__", "Os", obj, m->name) < 0) return NULL;
    return PyMember_GetOne((char *)obj, m);
}

static int member_set(PyObject *self, PyObject *obj, PyObject *value)
{
    return descr_check(self, obj) < 0 ? -1 : PyMember_SetOne((char *)obj, MEMBER(self), value);
}

static PyObject *member_get_doc(PyObject *self, void *Py_UNUSED(c))
{
    const char *doc = MEMBER(self)->doc;
    return doc ? PyUnicode_FromString(doc) : Py_NewRef(Py_None);
}

static PyGetSetDef member_getset[] = {
    { "__doc__", member_get_doc, NULL, NULL, NULL }, { "__qualname__", get_qualname, NULL, NULL, NULL }, { NULL },
};

PyObject *PyDescr_NewMember(PyTypeObject *type, PyMemberDef *member)
{
    if (member->flags & Py_RELATIVE_OFFSET) {
        PyErr_SetString(PyExc_SystemError, "PyDescr_NewMember used with Py_RELATIVE_OFFSET");
        return NULL;
    }
    PyMemberDescrObject *d = (PyMemberDescrObject *)descr_new(&PyMemberDescr_Type, type, member->name);
    if (d) d->d_member = member;
    return OBJECT(d);
}

PyTypeObject PyMemberDescr_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "member_descriptor",
    .tp_basicsize = sizeof(PyMemberDescrObject),
    .tp_dealloc = descr_dealloc,
    .tp_repr = member_repr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = descr_traverse,
    .tp_methods = descr_methods,
    .tp_members = descr_members,
    .tp_getset = member_getset,
    .tp_descr_get = member_get,
    .tp_descr_set = member_set,
};

/* ---- getsets -------------------------------------------------------------------------------------------------------------------- */

#define GETSET(o) (((PyGetSetDescrObject *)(o))->d_getset)

static PyObject *getset_repr(PyObject *self)
{
    return PyUnicode_FromFormat("<attribute '%U' of '%s' objects>", NAME_OF(self), DESCR(self)->d_type->tp_name);
}

static PyObject *getset_get(PyObject *self, PyObject *obj, PyObject *Py_UNUSED(type))
{
    if (!obj) return Py_NewRef(self);
    if (descr_check(self, obj) < 0) return NULL;
    PyGetSetDef *g = GETSET(self);
    if (LIKELY(g->get != NULL)) return g->get(obj, g->closure);
    PyErr_Format(PyExc_AttributeError, "attribute '%U' of '%.100s' objects is not readable", NAME_OF(self), DESCR(self)->d_type->tp_name);
    return NULL;
}

static int getset_set(PyObject *self, PyObject *obj, PyObject *value)
{
    if (descr_check(self, obj) < 0) return -1;
    PyGetSetDef *g = GETSET(self);
    if (LIKELY(g->set != NULL)) return g->set(obj, value, g->closure);
    PyErr_Format(PyExc_AttributeError, "attribute '%U' of '%.100s' objects is not writable", NAME_OF(self), DESCR(self)->d_type->tp_name);
    return -1;
}

static PyObject *getset_get_doc(PyObject *self, void *Py_UNUSED(c))
{
    const char *doc = GETSET(self)->doc;
    return doc ? PyUnicode_FromString(doc) : Py_NewRef(Py_None);
}

static PyGetSetDef getset_getset[] = {
    { "__doc__", getset_get_doc, NULL, NULL, NULL }, { "__qualname__", get_qualname, NULL, NULL, NULL }, { NULL },
};

PyObject *PyDescr_NewGetSet(PyTypeObject *type, PyGetSetDef *getset)
{
    PyGetSetDescrObject *d = (PyGetSetDescrObject *)descr_new(&PyGetSetDescr_Type, type, getset->name);
    if (d) d->d_getset = getset;
    return OBJECT(d);
}

PyTypeObject PyGetSetDescr_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "getset_descriptor",
    .tp_basicsize = sizeof(PyGetSetDescrObject),
    .tp_dealloc = descr_dealloc,
    .tp_repr = getset_repr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = descr_traverse,
    .tp_members = descr_members,
    .tp_getset = getset_getset,
    .tp_descr_get = getset_get,
    .tp_descr_set = getset_set,
};

/* ---- slot wrappers ----------------------------------------------------------------------------------------------------------------- */

#define WRAPPER_DESCR(o) ((PyWrapperDescrObject *)(o))
#define BASE(o) (WRAPPER_DESCR(o)->d_base)

static PyObject *wrapper_descr_repr(PyObject *self)
{
    return PyUnicode_FromFormat("<slot wrapper '%U' of '%s' objects>", NAME_OF(self), DESCR(self)->d_type->tp_name);
}

static PyObject *wrapper_call_raw(PyObject *descr, PyObject *self, PyObject *args, PyObject *kwds)
{
    struct wrapperbase *base = BASE(descr);
    void *wrapped = WRAPPER_DESCR(descr)->d_wrapped;
    if (base->flags & PyWrapperFlag_KEYWORDS) return ((wrapperfunc_kwds)(void (*)(void))base->wrapper)(self, args, wrapped, kwds);
    if (kwds && (!PyDict_Check(kwds) || PyDict_GET_SIZE(kwds) != 0)) {
        PyErr_Format(PyExc_TypeError, "wrapper %s() takes no keyword arguments", base->name);
        return NULL;
    }
    return base->wrapper(self, args, wrapped);
}

static PyObject *wrapper_descr_call(PyObject *self, PyObject *args, PyObject *kwds)
{
    Py_ssize_t n = PyTuple_GET_SIZE(args);
    PyTypeObject *type = DESCR(self)->d_type;
    if (n < 1) {
        PyErr_Format(PyExc_TypeError, "descriptor '%U' of '%.100s' object needs an argument", NAME_OF(self), type->tp_name);
        return NULL;
    }
    PyObject *obj = PyTuple_GET_ITEM(args, 0);
    if (!PyType_IsSubtype(Py_TYPE(obj), type)) {
        PyErr_Format(PyExc_TypeError, "descriptor '%U' requires a '%.100s' object but received a '%.100s'", NAME_OF(self), type->tp_name,
                     Py_TYPE(obj)->tp_name);
        return NULL;
    }
    PyObject *rest = PyTuple_GetSlice(args, 1, n);
    if (!rest) return NULL;
    PyObject *result = wrapper_call_raw(self, obj, rest, kwds);
    Py_DECREF(rest);
    return result;
}

static PyObject *wrapper_descr_get(PyObject *self, PyObject *obj, PyObject *Py_UNUSED(type))
{
    if (!obj) return Py_NewRef(self);
    return descr_check(self, obj) < 0 ? NULL : PyWrapper_New(self, obj);
}

static PyObject *wrapper_descr_get_doc(PyObject *self, void *Py_UNUSED(c)) { return type_find_doc(BASE(self)->name, BASE(self)->doc); }

static PyObject *wrapper_descr_get_text_signature(PyObject *self, void *Py_UNUSED(c))
{
    return type_find_text_signature(BASE(self)->name, BASE(self)->doc);
}

static PyGetSetDef wrapper_descr_getset[] = {
    { "__doc__", wrapper_descr_get_doc, NULL, NULL, NULL },
    { "__qualname__", get_qualname, NULL, NULL, NULL },
    { "__text_signature__", wrapper_descr_get_text_signature, NULL, NULL, NULL },
    { NULL },
};

PyObject *PyDescr_NewWrapper(PyTypeObject *type, struct wrapperbase *base, void *wrapped)
{
    PyWrapperDescrObject *d = (PyWrapperDescrObject *)descr_new(&PyWrapperDescr_Type, type, base->name);
    if (!d) return NULL;
    d->d_base = base;
    d->d_wrapped = wrapped;
    return OBJECT(d);
}

PyTypeObject PyWrapperDescr_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "wrapper_descriptor",
    .tp_basicsize = sizeof(PyWrapperDescrObject),
    .tp_dealloc = descr_dealloc,
    .tp_repr = wrapper_descr_repr,
    .tp_call = wrapper_descr_call,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_METHOD_DESCRIPTOR,
    .tp_traverse = descr_traverse,
    .tp_methods = descr_methods,
    .tp_members = descr_members,
    .tp_getset = wrapper_descr_getset,
    .tp_descr_get = wrapper_descr_get,
};

/* ---- method-wrapper: a slot wrapper bound to an object -------------------------------------------------------------------------------- */

typedef struct MethodWrapper {
    PyObject_HEAD
    PyObject *descr, *self;
} MethodWrapper;

#define WRAPPER(o) ((MethodWrapper *)(o))

PyObject *PyWrapper_New(PyObject *descr, PyObject *self)
{
    MethodWrapper *w = PyObject_GC_New(MethodWrapper, &_PyMethodWrapper_Type);
    if (!w) return NULL;
    w->descr = Py_NewRef(descr);
    w->self = Py_NewRef(self);
    PyObject_GC_Track(w);
    return OBJECT(w);
}

static void wrapper_dealloc(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    Py_XDECREF(WRAPPER(self)->descr);
    Py_XDECREF(WRAPPER(self)->self);
    PyObject_GC_Del(self);
}

static int wrapper_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(WRAPPER(self)->descr);
    Py_VISIT(WRAPPER(self)->self);
    return 0;
}

static PyObject *wrapper_repr(PyObject *self)
{
    PyObject *o = WRAPPER(self)->self;
    return PyUnicode_FromFormat("<method-wrapper '%s' of %s object at %p>", BASE(WRAPPER(self)->descr)->name, Py_TYPE(o)->tp_name, o);
}

static Py_hash_t pointer_hash(const void *p)
{
    uintptr_t a = (uintptr_t)p;
    return (Py_hash_t)((a >> 4) | (a << (8 * sizeof a - 4)));
}

static Py_hash_t wrapper_hash(PyObject *self)
{
    Py_hash_t h = pointer_hash(WRAPPER(self)->self) ^ pointer_hash(WRAPPER(self)->descr);
    return h == -1 ? -2 : h;
}

static PyObject *wrapper_richcompare(PyObject *a, PyObject *b, int op)
{
    if ((op != Py_EQ && op != Py_NE) || !Py_IS_TYPE(b, &_PyMethodWrapper_Type) || !Py_IS_TYPE(a, &_PyMethodWrapper_Type))
        Py_RETURN_NOTIMPLEMENTED;
    bool equal = WRAPPER(a)->descr == WRAPPER(b)->descr && WRAPPER(a)->self == WRAPPER(b)->self;
    return PyBool_FromLong(equal == (op == Py_EQ));
}

static PyObject *wrapper_call(PyObject *self, PyObject *args, PyObject *kwds)
{
    return wrapper_call_raw(WRAPPER(self)->descr, WRAPPER(self)->self, args, kwds);
}

BUILTIN_NOARGS(wrapper, __reduce__, "($self, /)", "Helper for pickle.")
{
    return reduce_as_attribute(WRAPPER(self)->self, NAME_OF(WRAPPER(self)->descr));
}

static PyObject *wrapper_get_objclass(PyObject *self, void *Py_UNUSED(c)) { return Py_NewRef(DESCR(WRAPPER(self)->descr)->d_type); }
static PyObject *wrapper_get_name(PyObject *self, void *Py_UNUSED(c)) { return Py_NewRef(NAME_OF(WRAPPER(self)->descr)); }
static PyObject *wrapper_get_qualname(PyObject *self, void *c) { return get_qualname(WRAPPER(self)->descr, c); }
static PyObject *wrapper_get_doc(PyObject *self, void *c) { return wrapper_descr_get_doc(WRAPPER(self)->descr, c); }
static PyObject *wrapper_get_text_signature(PyObject *self, void *c) { return wrapper_descr_get_text_signature(WRAPPER(self)->descr, c); }

static PyMethodDef wrapper_methods[] = { METHOD(wrapper, __reduce__), { NULL } };

static PyMemberDef wrapper_members[] = { { "__self__", _Py_T_OBJECT, offsetof(MethodWrapper, self), Py_READONLY, NULL }, { NULL } };

static PyGetSetDef wrapper_getset[] = {
    { "__objclass__", wrapper_get_objclass, NULL, NULL, NULL },
    { "__name__", wrapper_get_name, NULL, NULL, NULL },
    { "__qualname__", wrapper_get_qualname, NULL, NULL, NULL },
    { "__doc__", wrapper_get_doc, NULL, NULL, NULL },
    { "__text_signature__", wrapper_get_text_signature, NULL, NULL, NULL },
    { NULL },
};

PyTypeObject _PyMethodWrapper_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "method-wrapper",
    .tp_basicsize = sizeof(MethodWrapper),
    .tp_dealloc = wrapper_dealloc,
    .tp_repr = wrapper_repr,
    .tp_hash = wrapper_hash,
    .tp_call = wrapper_call,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = wrapper_traverse,
    .tp_richcompare = wrapper_richcompare,
    .tp_methods = wrapper_methods,
    .tp_members = wrapper_members,
    .tp_getset = wrapper_getset,
};
