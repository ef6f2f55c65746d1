/* Generators: resuming from C, throw(), close(), the end of life, and what coroutines and async generators share with them.
 *
 * The frame is the last field of the object. gi_frame_state says whether it may run; while it runs, gi_exc_state is linked into
 * the thread's stack of handled exceptions. Loops resume generators without coming here (eval/bodies_iteration.h). */
#include "eval/eval_private.h"
#include "capi/args.h"
#include "objects/generator_private.h"
#include "runtime/errors.h"

static const char *const already_running[] = {"generator already executing", "coroutine already executing",
                                              "async generator already executing"};

static int kind_of(PyGenObject *gen)
{
    return Py_IS_TYPE(gen, &PyCoro_Type) ? 1 : Py_IS_TYPE(gen, &PyAsyncGen_Type) ? 2 : 0;
}

/* ---- birth ------------------------------------------------------------------------------------------------------------------ */

static PyGenObject *generator_alloc(PyTypeObject *type, int words)
{
    Thread *t = thread_get();
    size_t size = offsetof(PyGenObject, gi_iframe) + offsetof(Frame, localsplus) + (size_t)words * sizeof(PyObject *);
    PyGenObject *gen = (PyGenObject *)gc_alloc(t, type, size, 0);
    if (!gen) return NULL;
    gen->gi_weakreflist = NULL;
    gen->gi_exc_state.exc_value = NULL;
    gen->gi_exc_state.previous_item = NULL;
    gen->gi_origin_or_finalizer = NULL;
    gen->gi_hooks_inited = gen->gi_closed = gen->gi_running_async = 0;
    gen->gi_frame_state = GEN_CLEARED;
    return gen;
}

PyObject *generator_from_frame(PyThreadState *ts, Frame *f)
{
    PyCodeObject *co = frame_code(f);
    PyFunctionObject *func = (PyFunctionObject *)f->f_funcobj;
    int kind = co->co_flags & (CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR);
    PyTypeObject *type = kind == CO_COROUTINE ? &PyCoro_Type : kind == CO_ASYNC_GENERATOR ? &PyAsyncGen_Type : &PyGen_Type;
    PyObject *origin = NULL;
    if (kind == CO_COROUTINE && ts->coroutine_origin_tracking_depth &&
        !(origin = coroutine_origin(ts->coroutine_origin_tracking_depth, frame_first_complete(f->previous)))) return NULL;
    PyGenObject *gen = generator_alloc(type, co->co_nlocalsplus + co->co_stacksize);
    if (!gen) {
        Py_XDECREF(origin);
        return NULL;
    }
    gen->gi_name = Py_NewRef(func->func_name);
    gen->gi_qualname = Py_NewRef(func->func_qualname);
    gen->gi_origin_or_finalizer = origin;
    Frame *own = generator_frame(gen);
    frame_copy(f, own);
    own->owner = FRAME_OWNED_BY_GENERATOR;
    if (own->frame_obj) own->frame_obj->f_frame = own;
    gen->gi_frame_state = GEN_CREATED;
    gc_track((Thread *)ts, (PyObject *)gen);
    return (PyObject *)gen;
}

static PyObject *generator_from_object(PyTypeObject *type, PyFrameObject *o, PyObject *name, PyObject *qualname)
{
    Frame *f = o->f_frame;
    PyCodeObject *co = frame_code(f);
    PyGenObject *gen = generator_alloc(type, co->co_nlocalsplus + co->co_stacksize);
    if (!gen) {
        Py_DECREF(o);
        return NULL;
    }
    Frame *own = generator_frame(gen);
    frame_copy(f, own);
    own->frame_obj = o;                              /* the reference to o is ours now */
    o->f_frame = own;
    own->owner = FRAME_OWNED_BY_GENERATOR;
    f->f_executable = NULL;
    gen->gi_name = Py_NewRef(name ? name : co->co_name);
    gen->gi_qualname = Py_NewRef(qualname ? qualname : co->co_qualname);
    gen->gi_frame_state = GEN_CREATED;
    PyObject_GC_Track(gen);
    return (PyObject *)gen;
}

PyObject *PyGen_NewWithQualName(PyFrameObject *f, PyObject *name, PyObject *qualname)
{
    return generator_from_object(&PyGen_Type, f, name, qualname);
}
PyObject *PyGen_New(PyFrameObject *f) { return generator_from_object(&PyGen_Type, f, NULL, NULL); }
PyObject *PyCoro_New(PyFrameObject *f, PyObject *name, PyObject *qualname)
{
    PyObject *coro = generator_from_object(&PyCoro_Type, f, name, qualname);
    PyThreadState *ts = PyThreadState_GET();
    if (coro && ts->coroutine_origin_tracking_depth) {
        PyObject *origin = coroutine_origin(ts->coroutine_origin_tracking_depth, frame_current(ts));
        if (!origin) Py_CLEAR(coro);
        else ((PyGenObject *)coro)->gi_origin_or_finalizer = origin;
    }
    return coro;
}
PyObject *PyAsyncGen_New(PyFrameObject *f, PyObject *name, PyObject *qualname)
{
    return generator_from_object(&PyAsyncGen_Type, f, name, qualname);
}

PyCodeObject *PyGen_GetCode(PyGenObject *gen) { return (PyCodeObject *)Py_NewRef(generator_frame(gen)->f_executable); }

/* ---- resuming ---------------------------------------------------------------------------------------------------------------- */

static PyObject *generator_run(PyThreadState *ts, PyGenObject *gen, int throw)
{
    Frame *f = generator_frame(gen);
    gen->gi_exc_state.previous_item = ts->exc_info;
    ts->exc_info = &gen->gi_exc_state;
    if (throw) {                                     /* implicit chaining: to what is handled inside the generator */
        PyObject *exc = PyErr_GetRaisedException(), *handled = gen->gi_exc_state.exc_value;
        if (exc && handled && handled != Py_None && handled != exc && !((PyBaseExceptionObject *)exc)->context) {
            PyErr_SetObject((PyObject *)Py_TYPE(exc), exc);
            Py_DECREF(exc);
        }
        else PyErr_SetRaisedException(exc);
    }
    gen->gi_frame_state = GEN_EXECUTING;
    return eval_frame(ts, f, throw);
}

static PySendResult generator_resume(PyGenObject *gen, PyObject *arg, PyObject **result, bool throw, bool closing)
{
    PyThreadState *ts = (PyThreadState *)thread_get();
    *result = NULL;
    if (gen->gi_frame_state == GEN_CREATED && arg && arg != Py_None) {
        static const char *const messages[] = {"can't send non-None value to a just-started generator",
            "can't send non-None value to a just-started coroutine", "can't send non-None value to a just-started async generator"};
        PyErr_SetString(PyExc_TypeError, messages[kind_of(gen)]);
        return PYGEN_ERROR;
    }
    if (gen->gi_frame_state == GEN_EXECUTING) {
        PyErr_SetString(PyExc_ValueError, already_running[kind_of(gen)]);
        return PYGEN_ERROR;
    }
    if (gen->gi_frame_state >= GEN_COMPLETED) {
        if (PyCoro_CheckExact(gen) && !closing) PyErr_SetString(PyExc_RuntimeError, "cannot reuse already awaited coroutine");
        else if (arg && !throw) {
            *result = Py_NewRef(Py_None);
            return PYGEN_RETURN;
        }
        return PYGEN_ERROR;
    }
    Frame *f = generator_frame(gen);
    if (gen->gi_frame_state != GEN_SUSPENDED_JUMPED) f->localsplus[f->stacktop++] = Py_NewRef(arg ? arg : Py_None);
    PyObject *value = generator_run(ts, gen, throw);
    if (!value) return PYGEN_ERROR;
    *result = value;
    if (gen->gi_frame_state < GEN_EXECUTING) return PYGEN_NEXT;
    return PYGEN_RETURN;
}

PySendResult generator_am_send(PyObject *self, PyObject *arg, PyObject **result)
{
    return generator_resume((PyGenObject *)self, arg, result, false, false);
}

PyObject *generator_send_value(PyGenObject *gen, PyObject *arg, bool throw, bool closing)
{
    PyObject *result;
    if (generator_resume(gen, arg, &result, throw, closing) != PYGEN_RETURN) return result;
    if (PyAsyncGen_CheckExact(gen)) PyErr_SetNone(PyExc_StopAsyncIteration);
    else if (result == Py_None) PyErr_SetNone(PyExc_StopIteration);
    else errors_set_stop_iteration(result);
    Py_DECREF(result);
    return NULL;
}

static PyObject *generator_iternext(PyObject *self)
{
    PyGenObject *gen = (PyGenObject *)self;
    PyObject *result;
    if (LIKELY(gen_is_resumable(gen))) {
        PyThreadState *ts = (PyThreadState *)thread_get();
        Frame *f = generator_frame(gen);
        f->localsplus[f->stacktop++] = Py_None;
        gen->gi_exc_state.previous_item = ts->exc_info;
        ts->exc_info = &gen->gi_exc_state;
        gen->gi_frame_state = GEN_EXECUTING;
        result = eval_frame(ts, f, 0);
        if (LIKELY(!result || gen->gi_frame_state < GEN_EXECUTING)) return result;
    }
    else if (generator_resume(gen, NULL, &result, false, false) != PYGEN_RETURN) return result;
    if (result != Py_None) errors_set_stop_iteration(result);
    Py_DECREF(result);
    return NULL;
}

PyObject *generator_yield_from(PyGenObject *gen)
{
    if (gen->gi_frame_state != GEN_SUSPENDED_YIELD_FROM) return NULL;
    Frame *f = generator_frame(gen);
    return Py_NewRef(f->localsplus[f->stacktop - 1]);
}

/* ---- the value of StopIteration ------------------------------------------------------------------------------------------------ */

int generator_fetch_stopiteration(PyObject **value)
{
    PyObject *result = NULL;
    if (PyErr_ExceptionMatches(PyExc_StopIteration)) {
        PyObject *exc = PyErr_GetRaisedException();
        result = Py_XNewRef(((PyStopIterationObject *)exc)->value);
        Py_DECREF(exc);
    }
    else if (PyErr_Occurred()) {
        *value = NULL;
        return -1;
    }
    *value = result ? result : Py_NewRef(Py_None);
    return 0;
}

/* ---- close and throw ---------------------------------------------------------------------------------------------------------- */

static int close_delegate(PyObject *delegate)
{
    PyObject *result = NULL;
    if (PyGen_CheckExact(delegate) || PyCoro_CheckExact(delegate)) {
        result = generator_close((PyGenObject *)delegate);
        if (!result) return -1;
    }
    else {
        PyObject *method;
        if (PyObject_GetOptionalAttr(delegate, STR(close), &method) < 0) PyErr_WriteUnraisable(delegate);
        if (method) {
            result = PyObject_CallNoArgs(method);
            Py_DECREF(method);
            if (!result) return -1;
        }
    }
    Py_XDECREF(result);
    return 0;
}

PyObject *generator_close(PyGenObject *gen)
{
    if (gen->gi_frame_state == GEN_CREATED) {
        gen->gi_frame_state = GEN_COMPLETED;
        Py_RETURN_NONE;
    }
    if (gen->gi_frame_state >= GEN_COMPLETED) Py_RETURN_NONE;
    PyObject *delegate = generator_yield_from(gen);
    int status = 0;
    if (delegate) {
        int8_t state = gen->gi_frame_state;
        gen->gi_frame_state = GEN_EXECUTING;
        status = close_delegate(delegate);
        gen->gi_frame_state = state;
        Py_DECREF(delegate);
    }
    Frame *f = generator_frame(gen);
    if (gen_is_suspended(gen) && status == 0) {
        /* Only the generator's own cleanup handler is around: nothing can see GeneratorExit. */
        CodeUnit *next = f->instr_ptr;
        if (opcode_deopt[next->op.code] == RESUME && (next->op.arg & RESUME_DEPTH1) && code_base_opcode(frame_code(f), frame_lasti_units(f)) == RESUME) {
            gen->gi_frame_state = GEN_COMPLETED;
            frame_clear_except_code(f);
            f->stacktop = 0;
            gen->gi_frame_state = GEN_CLEARED;
            Py_RETURN_NONE;
        }
    }
    if (status == 0) PyErr_SetNone(PyExc_GeneratorExit);
    PyObject *result = generator_send_value(gen, Py_None, true, true);
    if (result) {
        static const char *const messages[] = {"generator ignored GeneratorExit", "coroutine ignored GeneratorExit",
                                               "async generator ignored GeneratorExit"};
        Py_DECREF(result);
        PyErr_SetString(PyExc_RuntimeError, messages[kind_of(gen)]);
        return NULL;
    }
    if (PyErr_ExceptionMatches(PyExc_StopIteration)) {
        PyObject *value;
        return generator_fetch_stopiteration(&value) < 0 ? NULL : value;
    }
    if (PyErr_ExceptionMatches(PyExc_GeneratorExit)) {
        PyErr_Clear();
        Py_RETURN_NONE;
    }
    return NULL;
}

/* The exception that (type, value, traceback) mean; sets it raised. 0 or -1. */
static int raise_thrown(PyObject *type, PyObject *value, PyObject *tb)
{
    if (tb == Py_None) tb = NULL;
    else if (tb && !PyTraceBack_Check(tb)) {
        PyErr_SetString(PyExc_TypeError, "throw() third argument must be a traceback object");
        return -1;
    }
    PyObject *exc = NULL;
    if (PyExceptionClass_Check(type)) {
        if (value && PyExceptionInstance_Check(value) && PyObject_TypeCheck(value, (PyTypeObject *)type)) exc = Py_NewRef(value);
        else exc = errors_create(type, value == Py_None ? NULL : value);
        if (exc && !PyExceptionInstance_Check(exc)) {
            PyErr_Format(PyExc_TypeError, "calling %R should have returned an instance of BaseException, not %R", type, Py_TYPE(exc));
            Py_CLEAR(exc);
        }
        if (!exc) return 0;                          /* what went wrong is thrown instead */
    }
    else if (PyExceptionInstance_Check(type)) {
        if (value && value != Py_None) {
            PyErr_SetString(PyExc_TypeError, "instance exception may not have a separate value");
            return -1;
        }
        exc = Py_NewRef(type);
        if (!tb) {
            PyErr_SetRaisedException(exc);
            return 0;
        }
    }
    else {
        PyErr_Format(PyExc_TypeError, "exceptions must be classes or instances deriving from BaseException, not %s", Py_TYPE(type)->tp_name);
        return -1;
    }
    if (tb) PyException_SetTraceback(exc, tb);
    PyErr_SetRaisedException(exc);
    return 0;
}

/* What a delegate's end means for the one who delegates: its value is sent on, anything else is thrown on. */
static PyObject *throw_here(PyGenObject *gen, PyObject *type, PyObject *value, PyObject *tb)
{
    if (raise_thrown(type, value, tb) < 0) return NULL;
    return generator_send_value(gen, Py_None, true, false);
}

PyObject *generator_throw_with(PyGenObject *gen, bool close_on_exit, PyObject *type, PyObject *value, PyObject *tb)
{
    PyObject *delegate = generator_yield_from(gen);
    if (!delegate) return throw_here(gen, type, value, tb);
    PyObject *result;
    if (PyErr_GivenExceptionMatches(type, PyExc_GeneratorExit) && close_on_exit) {
        int8_t state = gen->gi_frame_state;
        gen->gi_frame_state = GEN_EXECUTING;
        int status = close_delegate(delegate);
        gen->gi_frame_state = state;
        Py_DECREF(delegate);
        if (status < 0) return generator_send_value(gen, Py_None, true, false);
        return throw_here(gen, type, value, tb);
    }
    PyThreadState *ts = PyThreadState_GET();
    if (PyGen_CheckExact(delegate) || PyCoro_CheckExact(delegate)) {
        /* this generator's frame is below the delegate's while it runs: for tracebacks and f_back */
        Frame *f = generator_frame(gen), *previous = ts->current_frame;
        f->previous = previous;
        ts->current_frame = f;
        int8_t state = gen->gi_frame_state;
        gen->gi_frame_state = GEN_EXECUTING;
        result = generator_throw_with((PyGenObject *)delegate, close_on_exit, type, value, tb);
        gen->gi_frame_state = state;
        ts->current_frame = previous;
        f->previous = NULL;
    }
    else {
        PyObject *method;
        if (PyObject_GetOptionalAttr(delegate, STR(throw), &method) < 0) {
            Py_DECREF(delegate);
            return NULL;
        }
        if (!method) {
            Py_DECREF(delegate);
            return throw_here(gen, type, value, tb);
        }
        Frame *f = generator_frame(gen), *previous = ts->current_frame;
        f->previous = previous;
        ts->current_frame = f;
        int8_t state = gen->gi_frame_state;
        gen->gi_frame_state = GEN_EXECUTING;
        result = PyObject_CallFunctionObjArgs(method, type, value, tb, NULL);
        gen->gi_frame_state = state;
        ts->current_frame = previous;
        f->previous = NULL;
        Py_DECREF(method);
    }
    Py_DECREF(delegate);
    if (!result) result = generator_send_value(gen, Py_None, true, false);   /* the loop's CLEANUP_THROW takes StopIteration */
    return result;
}

PyObject *generator_throw_args(PyGenObject *gen, PyObject *const *args, Py_ssize_t nargs)
{
    if (nargs < 1 || nargs > 3) {
        PyErr_Format(PyExc_TypeError, nargs < 1 ? "throw expected at least 1 argument, got %zd" : "throw expected at most 3 arguments, got %zd",
                     nargs);
        return NULL;
    }
    if (nargs > 1 && PyErr_WarnEx(PyExc_DeprecationWarning, "the (type, exc, tb) signature of throw() is deprecated, use the "
                                                            "single-arg signature instead.", 1) < 0) return NULL;
    return generator_throw_with(gen, true, args[0], nargs > 1 ? args[1] : NULL, nargs > 2 ? args[2] : NULL);
}

/* ---- the end of life ----------------------------------------------------------------------------------------------------------- */

void generator_finalize(PyObject *self)
{
    PyGenObject *gen = (PyGenObject *)self;
    if (gen->gi_frame_state >= GEN_COMPLETED) return;
    PyObject *finalizer = PyAsyncGen_CheckExact(self) ? gen->gi_origin_or_finalizer : NULL;
    if (finalizer && !gen->gi_closed) {
        PyObject *exc = PyErr_GetRaisedException(), *r = PyObject_CallOneArg(finalizer, self);
        if (!r) PyErr_WriteUnraisable(self);
        else Py_DECREF(r);
        PyErr_SetRaisedException(exc);
        return;
    }
    PyObject *exc = PyErr_GetRaisedException();
    if (PyCoro_CheckExact(self) && gen->gi_frame_state == GEN_CREATED) warn_unawaited_coroutine(self);
    PyObject *r = NULL;
    if (gen->gi_frame_state == GEN_CREATED) gen->gi_frame_state = GEN_COMPLETED;
    else {
        r = generator_close(gen);
        if (!r && PyErr_Occurred()) PyErr_WriteUnraisable(self);
        Py_XDECREF(r);
    }
    PyErr_SetRaisedException(exc);
}

void generator_dealloc_base(PyObject *self)
{
    PyGenObject *gen = (PyGenObject *)self;
    if (PyObject_GC_IsTracked(self)) PyObject_GC_UnTrack(self);
    if (gen->gi_weakreflist) PyObject_ClearWeakRefs(self);
    if (gen->gi_frame_state < GEN_COMPLETED) {
        PyObject_GC_Track(self);
        if (PyObject_CallFinalizerFromDealloc(self) < 0) return;
        PyObject_GC_UnTrack(self);
    }
    if (PyAsyncGen_CheckExact(self) || PyCoro_CheckExact(self)) Py_CLEAR(gen->gi_origin_or_finalizer);
    Frame *f = generator_frame(gen);
    if (gen->gi_frame_state != GEN_CLEARED) {
        gen->gi_frame_state = GEN_CLEARED;
        f->previous = NULL;
        frame_clear_except_code(f);
    }
    Py_CLEAR(gen->gi_exc_state.exc_value);
    Py_CLEAR(f->f_executable);
    Py_CLEAR(gen->gi_name);
    Py_CLEAR(gen->gi_qualname);
    PyObject_GC_Del(self);
}

int generator_traverse(PyObject *self, visitproc visit, void *arg)
{
    PyGenObject *gen = (PyGenObject *)self;
    Py_VISIT(gen->gi_name);
    Py_VISIT(gen->gi_qualname);
    if (PyAsyncGen_CheckExact(self) || PyCoro_CheckExact(self)) Py_VISIT(gen->gi_origin_or_finalizer);
    Frame *f = generator_frame(gen);
    if (gen->gi_frame_state < GEN_CLEARED && gen->gi_frame_state != GEN_EXECUTING) {
        int err = frame_traverse(f, visit, arg);
        if (err) return err;
    }
    else Py_VISIT(f->f_executable);
    Py_VISIT(gen->gi_exc_state.exc_value);
    return 0;
}

/* ---- attributes ------------------------------------------------------------------------------------------------------------------ */

PyObject *generator_repr(PyObject *self)
{
    return PyUnicode_FromFormat("<%s object %S at %p>", kind_of((PyGenObject *)self) == 1 ? "coroutine"
                                : kind_of((PyGenObject *)self) == 2 ? "async_generator" : "generator",
                                ((PyGenObject *)self)->gi_qualname, self);
}

PyObject *generator_get_name(PyObject *self, void *c) { return Py_NewRef(((PyGenObject *)self)->gi_name); }
PyObject *generator_get_qualname(PyObject *self, void *c) { return Py_NewRef(((PyGenObject *)self)->gi_qualname); }

int generator_set_name(PyObject *self, PyObject *v, void *c)
{
    if (!v || !PyUnicode_Check(v)) {
        PyErr_SetString(PyExc_TypeError, "__name__ must be set to a string object");
        return -1;
    }
    Py_XSETREF(((PyGenObject *)self)->gi_name, Py_NewRef(v));
    return 0;
}

int generator_set_qualname(PyObject *self, PyObject *v, void *c)
{
    if (!v || !PyUnicode_Check(v)) {
        PyErr_SetString(PyExc_TypeError, "__qualname__ must be set to a string object");
        return -1;
    }
    Py_XSETREF(((PyGenObject *)self)->gi_qualname, Py_NewRef(v));
    return 0;
}

PyObject *generator_get_yieldfrom(PyObject *self, void *c)
{
    PyObject *delegate = generator_yield_from((PyGenObject *)self);
    return delegate ? delegate : Py_NewRef(Py_None);
}
PyObject *generator_get_running(PyObject *self, void *c) { return PyBool_FromLong(((PyGenObject *)self)->gi_frame_state == GEN_EXECUTING); }
PyObject *generator_get_suspended(PyObject *self, void *c) { return PyBool_FromLong(gen_is_suspended((PyGenObject *)self)); }

PyObject *generator_get_frame(PyObject *self, const char *name)
{
    if (PySys_Audit("object.__getattr__", "Os", self, name) < 0) return NULL;
    PyGenObject *gen = (PyGenObject *)self;
    if (gen->gi_frame_state >= GEN_COMPLETED) Py_RETURN_NONE;
    PyFrameObject *object = frame_object(generator_frame(gen));
    return object ? Py_NewRef(object) : PyErr_NoMemory();
}

PyObject *generator_get_code(PyObject *self, const char *name)
{
    if (PySys_Audit("object.__getattr__", "Os", self, name) < 0) return NULL;
    return (PyObject *)PyGen_GetCode((PyGenObject *)self);
}

PyObject *generator_sizeof(PyObject *self, PyObject *ignored)
{
    PyCodeObject *co = frame_code(generator_frame((PyGenObject *)self));
    return PyLong_FromSsize_t((Py_ssize_t)(offsetof(PyGenObject, gi_iframe) + offsetof(Frame, localsplus)) +
                              (co->co_nlocalsplus + co->co_stacksize) * (Py_ssize_t)sizeof(PyObject *));
}

static PyObject *gi_frame(PyObject *self, void *c) { return generator_get_frame(self, "gi_frame"); }
static PyObject *gi_code(PyObject *self, void *c) { return generator_get_code(self, "gi_code"); }

static PyGetSetDef generator_getset[] = {
    {"__name__", generator_get_name, generator_set_name, "name of the generator"},
    {"__qualname__", generator_get_qualname, generator_set_qualname, "qualified name of the generator"},
    {"gi_yieldfrom", generator_get_yieldfrom, NULL, "what the generator delegates to, or None"},
    {"gi_running", generator_get_running},
    {"gi_frame", gi_frame},
    {"gi_suspended", generator_get_suspended},
    {"gi_code", gi_code},
    {0},
};

BUILTIN_O(generator, send, "($self, value, /)", "send(arg) -> send 'arg' into generator,\nreturn next yielded value or raise StopIteration.")
{
    return generator_send_value((PyGenObject *)self, arg, false, false);
}
BUILTIN_FAST(generator, throw, "($self, typ, val=None, tb=None, /)", "Raise an exception inside the generator; return the next value that it yields.")
{
    return generator_throw_args((PyGenObject *)self, args, nargs);
}
static PyObject *generator_close_method(PyObject *self, PyObject *ignored) { return generator_close((PyGenObject *)self); }

static PyMethodDef generator_methods[] = {
    METHOD(generator, send),
    { "throw", (PyCFunction)(void (*)(void))generator_throw, METH_FASTCALL,
      "throw(value)\nthrow(type[,value[,tb]])\n\nRaise an exception in the generator; return the next value that it yields." },
    {"close", generator_close_method, METH_NOARGS, "close($self, /)\n--\n\nRaise GeneratorExit inside the generator."},
    {"__sizeof__", generator_sizeof, METH_NOARGS, "__sizeof__($self, /)\n--\n\nBytes of the generator, its frame included."},
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, "See PEP 585"},
    {0},
};

static PyAsyncMethods generator_async = {.am_send = generator_am_send};

PyTypeObject PyGen_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "generator",
    .tp_basicsize = offsetof(PyGenObject, gi_iframe) + offsetof(Frame, localsplus),
    .tp_itemsize = sizeof(PyObject *),
    .tp_dealloc = generator_dealloc_base,
    .tp_as_async = &generator_async,
    .tp_repr = generator_repr,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = generator_traverse,
    .tp_weaklistoffset = offsetof(PyGenObject, gi_weakreflist),
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = generator_iternext,
    .tp_methods = generator_methods,
    .tp_getset = generator_getset,
    .tp_finalize = generator_finalize,
};
