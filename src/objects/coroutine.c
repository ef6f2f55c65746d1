/* Coroutines: generators with other manners. Awaiting, origin tracking, the wrapper that __await__ gives. */
#include "capi/args.h"
#include "objects/generator_private.h"
#include "runtime/errors.h"

/* ---- awaiting ---------------------------------------------------------------------------------------------------------------- */

static bool is_iterable_coroutine(PyObject *o)
{
    return PyGen_CheckExact(o) && frame_code(generator_frame((PyGenObject *)o))->co_flags & CO_ITERABLE_COROUTINE;
}

PyObject *coroutine_awaitable_iter(PyObject *o)
{
    if (PyCoro_CheckExact(o) || is_iterable_coroutine(o)) return Py_NewRef(o);
    PyAsyncMethods *async = Py_TYPE(o)->tp_as_async;
    if (!async || !async->am_await) {
        PyErr_Format(PyExc_TypeError, "object %.100s can't be used in 'await' expression", Py_TYPE(o)->tp_name);
        return NULL;
    }
    PyObject *it = async->am_await(o);
    if (!it) return NULL;
    if (PyCoro_CheckExact(it) || is_iterable_coroutine(it)) {
        PyErr_SetString(PyExc_TypeError, "__await__() returned a coroutine");
        Py_CLEAR(it);
    }
    else if (!PyIter_Check(it)) {
        PyErr_Format(PyExc_TypeError, "__await__() returned non-iterator of type '%.100s'", Py_TYPE(it)->tp_name);
        Py_CLEAR(it);
    }
    return it;
}

PyObject *coroutine_awaitable_iter_for(PyObject *o, int oparg)
{
    PyObject *it = coroutine_awaitable_iter(o);
    if (it || !oparg) return it;
    PyTypeObject *type = Py_TYPE(o);
    if (!type->tp_as_async || !type->tp_as_async->am_await)
        PyErr_Format(PyExc_TypeError, "'async with' received an object from %s that does not implement __await__: %.100s",
                     oparg == 1 ? "__aenter__" : "__aexit__", type->tp_name);
    return NULL;
}

/* ---- where a coroutine came from ------------------------------------------------------------------------------------------------ */

PyObject *coroutine_origin(int depth, Frame *frame)
{
    PyObject *list = PyList_New(0);
    for (Frame *f = frame; list && f && depth > 0; f = frame_first_complete(f->previous), depth--) {
        PyCodeObject *co = frame_code(f);
        PyObject *entry = Py_BuildValue("OiO", co->co_filename, frame_line(f), co->co_name);
        if (!entry || PyList_Append(list, entry) < 0) Py_CLEAR(list);
        Py_XDECREF(entry);
    }
    if (!list) return NULL;
    PyObject *tuple = PyList_AsTuple(list);
    Py_DECREF(list);
    return tuple;
}

/* ---- the type --------------------------------------------------------------------------------------------------------------------- */

typedef struct CoroutineWrapper { PyObject_HEAD PyCoroObject *coroutine; } CoroutineWrapper;

static PyObject *coroutine_await(PyObject *self)
{
    CoroutineWrapper *w = PyObject_GC_New(CoroutineWrapper, &coroutine_wrapper_type);
    if (!w) return NULL;
    w->coroutine = (PyCoroObject *)Py_NewRef(self);
    PyObject_GC_Track(w);
    return (PyObject *)w;
}

static PyObject *cr_frame(PyObject *self, void *c) { return generator_get_frame(self, "cr_frame"); }
static PyObject *cr_code(PyObject *self, void *c) { return generator_get_code(self, "cr_code"); }

static PyGetSetDef coroutine_getset[] = {
    {"__name__", generator_get_name, generator_set_name, "name of the coroutine"},
    {"__qualname__", generator_get_qualname, generator_set_qualname, "qualified name of the coroutine"},
    {"cr_await", generator_get_yieldfrom, NULL, "what the coroutine waits for, or None"},
    {"cr_running", generator_get_running},
    {"cr_frame", cr_frame},
    {"cr_code", cr_code},
    {"cr_suspended", generator_get_suspended},
    {0},
};

static PyMemberDef coroutine_members[] = {
    {"cr_origin", _Py_T_OBJECT, offsetof(PyCoroObject, cr_origin_or_finalizer), Py_READONLY},
    {0},
};

BUILTIN_O(coroutine, send, "($self, value, /)", "send(arg) -> send 'arg' into coroutine,\nreturn next yielded value or raise StopIteration.")
{
    return generator_send_value((PyGenObject *)self, arg, false, false);
}
BUILTIN_FAST(coroutine, throw, "($self, typ, val=None, tb=None, /)", "Raise an exception in coroutine; return the next value that it yields.")
{
    return generator_throw_args((PyGenObject *)self, args, nargs);
}
BUILTIN_NOARGS(coroutine, close, "($self, /)", "Raise GeneratorExit inside coroutine.") { return generator_close((PyGenObject *)self); }

static PyMethodDef coroutine_methods[] = {
    METHOD(coroutine, send),
    { "throw", (PyCFunction)(void (*)(void))coroutine_throw, METH_FASTCALL,
      "throw(value)\nthrow(type[,value[,traceback]])\n\nRaise exception in coroutine, return next yielded value or raise StopIteration." },
    METHOD(coroutine, close),
    {"__sizeof__", generator_sizeof, METH_NOARGS, "__sizeof__($self, /)\n--\n\nBytes of the coroutine, its frame included."},
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, "See PEP 585"},
    {0},
};

static PyAsyncMethods coroutine_async = {.am_await = coroutine_await, .am_send = generator_am_send};

PyTypeObject PyCoro_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "coroutine",
    .tp_basicsize = offsetof(PyCoroObject, cr_iframe) + offsetof(Frame, localsplus),
    .tp_itemsize = sizeof(PyObject *),
    .tp_dealloc = generator_dealloc_base,
    .tp_as_async = &coroutine_async,
    .tp_repr = generator_repr,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = generator_traverse,
    .tp_weaklistoffset = offsetof(PyCoroObject, cr_weakreflist),
    .tp_methods = coroutine_methods,
    .tp_members = coroutine_members,
    .tp_getset = coroutine_getset,
    .tp_finalize = generator_finalize,
};

/* ---- coroutine_wrapper ------------------------------------------------------------------------------------------------------------- */

static void wrapper_dealloc(CoroutineWrapper *w)
{
    PyObject_GC_UnTrack(w);
    Py_CLEAR(w->coroutine);
    PyObject_GC_Del(w);
}

static int wrapper_traverse(CoroutineWrapper *w, visitproc visit, void *arg)
{
    Py_VISIT(w->coroutine);
    return 0;
}

static PyObject *wrapper_iternext(CoroutineWrapper *w) { return generator_send_value((PyGenObject *)w->coroutine, Py_None, false, false); }

BUILTIN_O(wrapper, send, "($self, value, /)", "Send a value into the coroutine.")
{
    return generator_send_value((PyGenObject *)((CoroutineWrapper *)self)->coroutine, arg, false, false);
}
BUILTIN_FAST(wrapper, throw, "($self, typ, val=None, tb=None, /)", "Raise an exception inside the coroutine.")
{
    return generator_throw_args((PyGenObject *)((CoroutineWrapper *)self)->coroutine, args, nargs);
}
BUILTIN_NOARGS(wrapper, close, "($self, /)", "Close the coroutine.")
{
    return generator_close((PyGenObject *)((CoroutineWrapper *)self)->coroutine);
}

static PyMethodDef wrapper_methods[] = { METHOD(wrapper, send), METHOD(wrapper, throw), METHOD(wrapper, close), {0} };

PyTypeObject coroutine_wrapper_type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "coroutine_wrapper",
    .tp_basicsize = sizeof(CoroutineWrapper),
    .tp_dealloc = (destructor)wrapper_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_doc = "What __await__ of a coroutine returns.",
    .tp_traverse = (traverseproc)wrapper_traverse,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = (iternextfunc)wrapper_iternext,
    .tp_methods = wrapper_methods,
};
