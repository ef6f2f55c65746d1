/* Asynchronous generators (PEP 525). asend() and athrow() give awaitables that drive the generator; what the generator itself
 * yields comes wrapped, so that it can be told from what it awaits. */
#include "capi/args.h"
#include "objects/generator_private.h"
#include "objects/asyncgen.h"
#include "runtime/errors.h"

enum { AWAITABLE_INIT, AWAITABLE_ITER, AWAITABLE_CLOSED };

typedef struct Wrapped { PyObject_HEAD PyObject *value; } Wrapped;
typedef struct ASend { PyObject_HEAD PyAsyncGenObject *gen; PyObject *value; int state; } ASend;
typedef struct AThrow { PyObject_HEAD PyAsyncGenObject *gen; PyObject *type, *value, *tb; int state; bool closing; } AThrow;

/* ---- the generator ------------------------------------------------------------------------------------------------------------ */

/* Tells the event loop, once. */
static int asyncgen_init_hooks(PyAsyncGenObject *gen)
{
    if (gen->ag_hooks_inited) return 0;
    PyThreadState *ts = PyThreadState_GET();
    gen->ag_hooks_inited = 1;
    if (ts->async_gen_finalizer) gen->ag_origin_or_finalizer = Py_NewRef(ts->async_gen_finalizer);
    PyObject *first = ts->async_gen_firstiter;
    if (!first) return 0;
    Py_INCREF(first);
    PyObject *r = PyObject_CallOneArg(first, (PyObject *)gen);
    Py_DECREF(first);
    if (!r) return -1;
    Py_DECREF(r);
    return 0;
}

static PyObject *asend_new(PyAsyncGenObject *gen, PyObject *value)
{
    ASend *o = PyObject_GC_New(ASend, &_PyAsyncGenASend_Type);
    if (!o) return NULL;
    o->gen = (PyAsyncGenObject *)Py_NewRef(gen);
    o->value = Py_XNewRef(value);
    o->state = AWAITABLE_INIT;
    PyObject_GC_Track(o);
    return (PyObject *)o;
}

static PyObject *athrow_new(PyAsyncGenObject *gen, bool closing, PyObject *const *args, Py_ssize_t nargs)
{
    AThrow *o = PyObject_GC_New(AThrow, &asyncgen_athrow_type);
    if (!o) return NULL;
    o->gen = (PyAsyncGenObject *)Py_NewRef(gen);
    o->type = nargs > 0 ? Py_NewRef(args[0]) : NULL;
    o->value = nargs > 1 ? Py_NewRef(args[1]) : NULL;
    o->tb = nargs > 2 ? Py_NewRef(args[2]) : NULL;
    o->closing = closing;
    o->state = AWAITABLE_INIT;
    PyObject_GC_Track(o);
    return (PyObject *)o;
}

static PyObject *asyncgen_anext(PyObject *self)
{
    return asyncgen_init_hooks((PyAsyncGenObject *)self) < 0 ? NULL : asend_new((PyAsyncGenObject *)self, NULL);
}

BUILTIN_O(asyncgen, asend, "($self, value, /)", "asend(v) -> send 'v' in generator.")
{
    return asyncgen_init_hooks((PyAsyncGenObject *)self) < 0 ? NULL : asend_new((PyAsyncGenObject *)self, arg);
}

BUILTIN_NOARGS(asyncgen, aclose, "($self, /)", "aclose() -> raise GeneratorExit inside generator.")
{
    return asyncgen_init_hooks((PyAsyncGenObject *)self) < 0 ? NULL : athrow_new((PyAsyncGenObject *)self, true, NULL, 0);
}

BUILTIN_FAST(asyncgen, athrow, "($self, typ, val=None, tb=None, /)", "Raise an exception inside the generator.")
{
    if (nargs > 1 && PyErr_WarnEx(PyExc_DeprecationWarning, "the (type, exc, tb) signature of athrow() is deprecated, use the "
                                                            "single-arg signature instead.", 1) < 0) return NULL;
    if (nargs < 1 || nargs > 3) {
        PyErr_Format(PyExc_TypeError, nargs < 1 ? "athrow expected at least 1 argument, got %zd"
                                                : "athrow expected at most 3 arguments, got %zd", nargs);
        return NULL;
    }
    return asyncgen_init_hooks((PyAsyncGenObject *)self) < 0 ? NULL : athrow_new((PyAsyncGenObject *)self, false, args, nargs);
}

static PyObject *ag_frame(PyObject *self, void *c) { return generator_get_frame(self, "ag_frame"); }
static PyObject *ag_code(PyObject *self, void *c) { return generator_get_code(self, "ag_code"); }

static PyGetSetDef asyncgen_getset[] = {
    {"__name__", generator_get_name, generator_set_name, "name of the async generator"},
    {"__qualname__", generator_get_qualname, generator_set_qualname, "qualified name of the async generator"},
    {"ag_await", generator_get_yieldfrom, NULL, "what the generator waits for, or None"},
    {"ag_frame", ag_frame},
    {"ag_code", ag_code},
    {"ag_suspended", generator_get_suspended},
    {0},
};

static PyMemberDef asyncgen_members[] = {
    {"ag_running", Py_T_BOOL, offsetof(PyAsyncGenObject, ag_running_async), Py_READONLY},
    {0},
};

static PyMethodDef asyncgen_methods[] = {
    METHOD(asyncgen, asend),
    { "athrow", (PyCFunction)(void (*)(void))asyncgen_athrow, METH_FASTCALL,
      "athrow(value)\nathrow(type[,value[,tb]])\n\nRaise an exception in the generator." },
    METHOD(asyncgen, aclose),
    {"__sizeof__", generator_sizeof, METH_NOARGS, "__sizeof__($self, /)\n--\n\nBytes of the generator, its frame included."},
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, "See PEP 585"},
    {0},
};

static PyAsyncMethods asyncgen_async = {.am_aiter = PyObject_SelfIter, .am_anext = asyncgen_anext, .am_send = generator_am_send};

PyTypeObject PyAsyncGen_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "async_generator",
    .tp_basicsize = offsetof(PyAsyncGenObject, ag_iframe) + offsetof(Frame, localsplus),
    .tp_itemsize = sizeof(PyObject *),
    .tp_dealloc = generator_dealloc_base,
    .tp_as_async = &asyncgen_async,
    .tp_repr = generator_repr,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = generator_traverse,
    .tp_weaklistoffset = offsetof(PyAsyncGenObject, ag_weakreflist),
    .tp_methods = asyncgen_methods,
    .tp_members = asyncgen_members,
    .tp_getset = asyncgen_getset,
    .tp_finalize = generator_finalize,
};

/* ---- wrapped values -------------------------------------------------------------------------------------------------------------- */

PyObject *asyncgen_wrap(PyObject *value)
{
    Wrapped *w = PyObject_GC_New(Wrapped, &asyncgen_wrapped_type);
    if (!w) {
        Py_DECREF(value);
        return NULL;
    }
    w->value = value;
    PyObject_GC_Track(w);
    return (PyObject *)w;
}

static void wrapped_dealloc(Wrapped *w)
{
    PyObject_GC_UnTrack(w);
    Py_CLEAR(w->value);
    PyObject_GC_Del(w);
}

static int wrapped_traverse(Wrapped *w, visitproc visit, void *arg)
{
    Py_VISIT(w->value);
    return 0;
}

PyTypeObject asyncgen_wrapped_type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "async_generator_wrapped_value",
    .tp_basicsize = sizeof(Wrapped),
    .tp_dealloc = (destructor)wrapped_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_traverse = (traverseproc)wrapped_traverse,
};

static bool is_wrapped(PyObject *o) { return o && Py_IS_TYPE(o, &asyncgen_wrapped_type); }

/* A wrapped value ends the await with it; STEALS result. */
static PyObject *asyncgen_unwrap(PyAsyncGenObject *gen, PyObject *result)
{
    if (!result) {
        if (!PyErr_Occurred()) PyErr_SetNone(PyExc_StopAsyncIteration);
        if (PyErr_ExceptionMatches(PyExc_StopAsyncIteration) || PyErr_ExceptionMatches(PyExc_GeneratorExit)) gen->ag_closed = 1;
        gen->ag_running_async = 0;
        return NULL;
    }
    if (is_wrapped(result)) {
        errors_set_stop_iteration(((Wrapped *)result)->value);
        Py_DECREF(result);
        gen->ag_running_async = 0;
        return NULL;
    }
    return result;
}

COLD static void warn_unawaited(PyAsyncGenObject *gen, const char *method)
{
    PyObject *exc = PyErr_GetRaisedException(), *name = PyUnicode_FromString(method);
    if (!name || PyErr_WarnFormat(PyExc_RuntimeWarning, 1, "coroutine method %R of %R was never awaited", name, gen->ag_qualname) < 0)
        PyErr_WriteUnraisable((PyObject *)gen);
    Py_XDECREF(name);
    PyErr_SetRaisedException(exc);
}

static bool is_exit(void)
{
    return PyErr_ExceptionMatches(PyExc_StopIteration) || PyErr_ExceptionMatches(PyExc_StopAsyncIteration) ||
           PyErr_ExceptionMatches(PyExc_GeneratorExit);
}

static PyObject *state_error(const char *message)
{
    PyErr_SetString(PyExc_RuntimeError, message);
    return NULL;
}

/* ---- asend() and __anext__() ------------------------------------------------------------------------------------------------------- */

static const char asend_reused[] = "cannot reuse already awaited __anext__()/asend()";
static const char asend_running[] = "anext(): asynchronous generator is already running";

static PyObject *asend_send_value(ASend *o, PyObject *arg)
{
    if (o->state == AWAITABLE_CLOSED) return state_error(asend_reused);
    if (o->state == AWAITABLE_INIT) {
        if (o->gen->ag_running_async) {
            o->state = AWAITABLE_CLOSED;
            return state_error(asend_running);
        }
        if (!arg || arg == Py_None) arg = o->value;
        o->state = AWAITABLE_ITER;
    }
    o->gen->ag_running_async = 1;
    PyObject *result = asyncgen_unwrap(o->gen, generator_send_value((PyGenObject *)o->gen, arg ? arg : Py_None, false, false));
    if (!result) o->state = AWAITABLE_CLOSED;
    return result;
}

static PyObject *asend_throw_args(ASend *o, PyObject *const *args, Py_ssize_t nargs)
{
    if (o->state == AWAITABLE_CLOSED) return state_error(asend_reused);
    if (o->state == AWAITABLE_INIT) {
        if (o->gen->ag_running_async) {
            o->state = AWAITABLE_CLOSED;
            return state_error(asend_running);
        }
        o->state = AWAITABLE_ITER;
        o->gen->ag_running_async = 1;
    }
    PyObject *result = asyncgen_unwrap(o->gen, generator_throw_args((PyGenObject *)o->gen, args, nargs));
    if (!result) o->state = AWAITABLE_CLOSED;
    return result;
}

BUILTIN_O(asend, send, "($self, value, /)", "Go on with a value.") { return asend_send_value((ASend *)self, arg); }
BUILTIN_FAST(asend, throw, "($self, typ, val=None, tb=None, /)", "Raise an exception inside.") { return asend_throw_args((ASend *)self, args, nargs); }
BUILTIN_NOARGS(asend, close, "($self, /)", "Give up.")
{
    ASend *o = (ASend *)self;
    if (o->state == AWAITABLE_CLOSED) Py_RETURN_NONE;
    PyObject *result = asend_throw_args(o, &PyExc_GeneratorExit, 1);
    if (!result) {
        if (!is_exit()) return NULL;
        PyErr_Clear();
        Py_RETURN_NONE;
    }
    Py_DECREF(result);
    return state_error("coroutine ignored GeneratorExit");
}

static PyObject *asend_iternext(ASend *o) { return asend_send_value(o, NULL); }

static void asend_finalize(PyObject *self)
{
    ASend *o = (ASend *)self;
    if (o->state == AWAITABLE_CLOSED || o->state == AWAITABLE_ITER) return;
    if (o->gen->ag_closed) return;
    warn_unawaited(o->gen, "asend");
}

static void asend_dealloc(ASend *o)
{
    if (PyObject_CallFinalizerFromDealloc((PyObject *)o)) return;
    PyObject_GC_UnTrack(o);
    Py_CLEAR(o->gen);
    Py_CLEAR(o->value);
    PyObject_GC_Del(o);
}

static int asend_traverse(ASend *o, visitproc visit, void *arg)
{
    Py_VISIT(o->gen);
    Py_VISIT(o->value);
    return 0;
}

static PyMethodDef asend_methods[] = { METHOD(asend, send), METHOD(asend, throw), METHOD(asend, close), {0} };
static PyAsyncMethods asend_async = {.am_await = PyObject_SelfIter};

PyTypeObject _PyAsyncGenASend_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "async_generator_asend",
    .tp_basicsize = sizeof(ASend),
    .tp_dealloc = (destructor)asend_dealloc,
    .tp_as_async = &asend_async,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_traverse = (traverseproc)asend_traverse,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = (iternextfunc)asend_iternext,
    .tp_methods = asend_methods,
    .tp_finalize = asend_finalize,
};

/* ---- athrow() and aclose() --------------------------------------------------------------------------------------------------------- */

static const char athrow_reused[] = "cannot reuse already awaited aclose()/athrow()";
static const char ignored_exit[] = "async generator ignored GeneratorExit";

static PyObject *athrow_check_error(AThrow *o)
{
    o->gen->ag_running_async = 0;
    o->state = AWAITABLE_CLOSED;
    if (o->closing && (PyErr_ExceptionMatches(PyExc_StopAsyncIteration) || PyErr_ExceptionMatches(PyExc_GeneratorExit))) {
        PyErr_Clear();                               /* aclose() is done: its await ends without a value */
        PyErr_SetNone(PyExc_StopIteration);
    }
    return NULL;
}

static PyObject *athrow_ignored(AThrow *o, PyObject *result)
{
    o->gen->ag_running_async = 0;
    o->state = AWAITABLE_CLOSED;
    Py_DECREF(result);
    return state_error(ignored_exit);
}

static PyObject *athrow_running(AThrow *o)
{
    o->state = AWAITABLE_CLOSED;
    return state_error(o->closing ? "aclose(): asynchronous generator is already running"
                                  : "athrow(): asynchronous generator is already running");
}

static PyObject *athrow_send_value(AThrow *o, PyObject *arg)
{
    PyGenObject *gen = (PyGenObject *)o->gen;
    PyObject *result;
    if (o->state == AWAITABLE_CLOSED) return state_error(athrow_reused);
    if (gen->gi_frame_state >= GEN_COMPLETED) {
        o->state = AWAITABLE_CLOSED;
        PyErr_SetNone(PyExc_StopIteration);
        return NULL;
    }
    if (o->state == AWAITABLE_INIT) {
        if (o->gen->ag_running_async) return athrow_running(o);
        if (o->gen->ag_closed) {
            o->state = AWAITABLE_CLOSED;
            PyErr_SetNone(PyExc_StopAsyncIteration);
            return NULL;
        }
        if (arg != Py_None) return state_error("can't send non-None value to a just-started coroutine");
        o->state = AWAITABLE_ITER;
        o->gen->ag_running_async = 1;
        if (o->closing) {
            o->gen->ag_closed = 1;
            result = generator_throw_with(gen, false, PyExc_GeneratorExit, NULL, NULL);
            if (is_wrapped(result)) return athrow_ignored(o, result);
        }
        else result = asyncgen_unwrap(o->gen, generator_throw_with(gen, false, o->type, o->value, o->tb));
        return result ? result : athrow_check_error(o);
    }
    result = generator_send_value(gen, arg, false, false);
    if (!o->closing) {
        result = asyncgen_unwrap(o->gen, result);
        if (!result) o->state = AWAITABLE_CLOSED;
        return result;
    }
    if (!result) return athrow_check_error(o);
    return is_wrapped(result) ? athrow_ignored(o, result) : result;
}

static PyObject *athrow_throw_args(AThrow *o, PyObject *const *args, Py_ssize_t nargs)
{
    if (o->state == AWAITABLE_CLOSED) return state_error(athrow_reused);
    if (o->state == AWAITABLE_INIT) {
        if (o->gen->ag_running_async) return athrow_running(o);
        o->state = AWAITABLE_ITER;
        o->gen->ag_running_async = 1;
    }
    PyObject *result = generator_throw_args((PyGenObject *)o->gen, args, nargs);
    if (!o->closing) {
        result = asyncgen_unwrap(o->gen, result);
        if (!result) o->state = AWAITABLE_CLOSED;
        return result;
    }
    if (is_wrapped(result)) return athrow_ignored(o, result);
    if (!result) {
        o->state = AWAITABLE_CLOSED;
        o->gen->ag_running_async = 0;
        if (PyErr_ExceptionMatches(PyExc_StopAsyncIteration) || PyErr_ExceptionMatches(PyExc_GeneratorExit)) {
            PyErr_Clear();
            PyErr_SetNone(PyExc_StopIteration);
        }
    }
    return result;
}

BUILTIN_O(athrow, send, "($self, value, /)", "Go on with a value.") { return athrow_send_value((AThrow *)self, arg); }
BUILTIN_FAST(athrow, throw, "($self, typ, val=None, tb=None, /)", "Raise an exception inside.") { return athrow_throw_args((AThrow *)self, args, nargs); }
BUILTIN_NOARGS(athrow, close, "($self, /)", "Give up.")
{
    AThrow *o = (AThrow *)self;
    if (o->state == AWAITABLE_CLOSED) Py_RETURN_NONE;
    PyObject *result = athrow_throw_args(o, &PyExc_GeneratorExit, 1);
    if (!result) {
        if (!is_exit()) return NULL;
        PyErr_Clear();
        Py_RETURN_NONE;
    }
    Py_DECREF(result);
    return state_error("coroutine ignored GeneratorExit");
}

static PyObject *athrow_iternext(AThrow *o) { return athrow_send_value(o, Py_None); }

static void athrow_finalize(PyObject *self)
{
    AThrow *o = (AThrow *)self;
    if (o->state == AWAITABLE_INIT) warn_unawaited(o->gen, o->closing ? "aclose" : "athrow");
}

static void athrow_dealloc(AThrow *o)
{
    if (PyObject_CallFinalizerFromDealloc((PyObject *)o)) return;
    PyObject_GC_UnTrack(o);
    Py_CLEAR(o->gen);
    Py_CLEAR(o->type);
    Py_CLEAR(o->value);
    Py_CLEAR(o->tb);
    PyObject_GC_Del(o);
}

static int athrow_traverse(AThrow *o, visitproc visit, void *arg)
{
    Py_VISIT(o->gen);
    Py_VISIT(o->type);
    Py_VISIT(o->value);
    Py_VISIT(o->tb);
    return 0;
}

static PyMethodDef athrow_methods[] = { METHOD(athrow, send), METHOD(athrow, throw), METHOD(athrow, close), {0} };
static PyAsyncMethods athrow_async = {.am_await = PyObject_SelfIter};

PyTypeObject asyncgen_athrow_type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "async_generator_athrow",
    .tp_basicsize = sizeof(AThrow),
    .tp_dealloc = (destructor)athrow_dealloc,
    .tp_as_async = &athrow_async,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_traverse = (traverseproc)athrow_traverse,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = (iternextfunc)athrow_iternext,
    .tp_methods = athrow_methods,
    .tp_finalize = athrow_finalize,
};

/* ---- async for ------------------------------------------------------------------------------------------------------------------------ */

PyObject *asyncgen_get_aiter(PyObject *o)
{
    PyTypeObject *type = Py_TYPE(o);
    PyObject *it = NULL;
    if (!type->tp_as_async || !type->tp_as_async->am_aiter)
        PyErr_Format(PyExc_TypeError, "'async for' requires an object with __aiter__ method, got %.100s", type->tp_name);
    else if ((it = type->tp_as_async->am_aiter(o)) && (!Py_TYPE(it)->tp_as_async || !Py_TYPE(it)->tp_as_async->am_anext)) {
        PyErr_Format(PyExc_TypeError, "'async for' received an object from __aiter__ that does not implement __anext__: %.100s",
                     Py_TYPE(it)->tp_name);
        Py_CLEAR(it);
    }
    Py_DECREF(o);
    return it;
}

PyObject *asyncgen_get_anext(PyObject *aiter)
{
    PyTypeObject *type = Py_TYPE(aiter);
    if (PyAsyncGen_CheckExact(aiter)) return type->tp_as_async->am_anext(aiter);
    if (!type->tp_as_async || !type->tp_as_async->am_anext) {
        PyErr_Format(PyExc_TypeError, "'async for' requires an iterator with __anext__ method, got %.100s", type->tp_name);
        return NULL;
    }
    PyObject *next = type->tp_as_async->am_anext(aiter);
    if (!next) return NULL;
    PyObject *it = coroutine_awaitable_iter(next);
    if (!it)
        errors_format_from_cause(PyExc_TypeError, "'async for' received an invalid object from __anext__: %.100s", Py_TYPE(next)->tp_name);
    Py_DECREF(next);
    return it;
}

/* ---- anext(it, default) ---------------------------------------------------------------------------------------------------------------- */

typedef struct AnextAwaitable { PyObject_HEAD PyObject *wrapped, *fallback; } AnextAwaitable;

PyObject *anext_awaitable_new(PyObject *awaitable, PyObject *fallback)
{
    AnextAwaitable *a = PyObject_GC_New(AnextAwaitable, &asyncgen_anext_awaitable_type);
    if (!a) return NULL;
    a->wrapped = Py_NewRef(awaitable);
    a->fallback = Py_NewRef(fallback);
    PyObject_GC_Track(a);
    return (PyObject *)a;
}

static void anext_dealloc(AnextAwaitable *a)
{
    PyObject_GC_UnTrack(a);
    Py_XDECREF(a->wrapped);
    Py_XDECREF(a->fallback);
    PyObject_GC_Del(a);
}

static int anext_traverse(AnextAwaitable *a, visitproc visit, void *arg)
{
    Py_VISIT(a->wrapped);
    Py_VISIT(a->fallback);
    return 0;
}

/* NEW iterator with tp_iternext. */
static PyObject *anext_iterator(AnextAwaitable *a)
{
    PyObject *it = coroutine_awaitable_iter(a->wrapped);
    if (!it || PyIter_Check(it)) return it;
    PyObject *again = Py_TYPE(it)->tp_as_async->am_await(it);    /* a coroutine */
    Py_DECREF(it);
    if (again && !PyIter_Check(again)) {
        PyErr_Format(PyExc_TypeError, "%.100s.__await__() must return an iterable, not %.100s", Py_TYPE(a->wrapped)->tp_name,
                     Py_TYPE(again)->tp_name);
        Py_CLEAR(again);
    }
    return again;
}

static PyObject *anext_result(AnextAwaitable *a, PyObject *result)
{
    if (!result && PyErr_ExceptionMatches(PyExc_StopAsyncIteration)) {
        PyErr_Clear();
        errors_set_stop_iteration(a->fallback);
    }
    return result;
}

static PyObject *anext_iternext(AnextAwaitable *a)
{
    PyObject *it = anext_iterator(a);
    if (!it) return NULL;
    PyObject *result = Py_TYPE(it)->tp_iternext(it);
    Py_DECREF(it);
    return anext_result(a, result);
}

static PyObject *anext_forward(AnextAwaitable *a, const char *name, PyObject *const *args, Py_ssize_t nargs)
{
    PyObject *it = anext_iterator(a);
    if (!it) return NULL;
    PyObject *method = PyObject_GetAttrString(it, name), *result = method ? PyObject_Vectorcall(method, args, (size_t)nargs, NULL) : NULL;
    Py_XDECREF(method);
    Py_DECREF(it);
    return anext_result(a, result);
}

BUILTIN_FAST(anext, send, "($self, value, /)", "Go on with a value.") { return anext_forward((AnextAwaitable *)self, "send", args, nargs); }
BUILTIN_FAST(anext, throw, "($self, typ, val=None, tb=None, /)", "Raise an exception inside.") { return anext_forward((AnextAwaitable *)self, "throw", args, nargs); }
BUILTIN_FAST(anext, close, "($self, /)", "Give up.") { return anext_forward((AnextAwaitable *)self, "close", args, nargs); }

static PyMethodDef anext_methods[] = { METHOD(anext, send), METHOD(anext, throw), METHOD(anext, close), {0} };
static PyAsyncMethods anext_async = {.am_await = PyObject_SelfIter};

PyTypeObject asyncgen_anext_awaitable_type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "anext_awaitable",
    .tp_basicsize = sizeof(AnextAwaitable),
    .tp_dealloc = (destructor)anext_dealloc,
    .tp_as_async = &anext_async,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_traverse = (traverseproc)anext_traverse,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = (iternextfunc)anext_iternext,
    .tp_methods = anext_methods,
};
