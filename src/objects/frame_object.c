/* Frame objects: what Python sees of a frame. Made on demand; the frame itself lives elsewhere until it ends (eval/frame.c).
 * Setting f_lineno is in frame_jump.c, f_locals in frame_locals.c. */
#include "eval/eval_private.h"
#include "capi/args.h"
#include "objects/frame_private.h"

PyFrameObject *frame_object(Frame *f)
{
    if (f->frame_obj) return f->frame_obj;
    if (f->owner == FRAME_OWNED_BY_FRAME_OBJECT) return (PyFrameObject *)(void *)((char *)f - offsetof(PyFrameObject, _f_frame_data));
    PyObject *exc = PyErr_GetRaisedException();
    PyCodeObject *co = frame_code(f);
    PyFrameObject *object = PyObject_GC_NewVar(PyFrameObject, &PyFrame_Type, co->co_framesize);
    if (!object) {
        Py_XDECREF(exc);
        return NULL;
    }
    object->f_back = NULL;
    object->f_frame = f;
    object->f_trace = NULL;
    object->f_lineno = 0;
    object->f_trace_lines = 1;
    object->f_trace_opcodes = 0;
    object->f_extra_locals = NULL;
    object->f_locals_cache = NULL;
    PyErr_SetRaisedException(exc);
    f->frame_obj = object;
    return object;
}

/* A frame that never ran, for those who build tracebacks by hand. */
PyFrameObject *PyFrame_New(PyThreadState *ts, PyCodeObject *code, PyObject *globals, PyObject *locals)
{
    PyObject *builtins = eval_builtins_of(ts, globals);
    if (!builtins) return NULL;
    PyFunctionObject *func = (PyFunctionObject *)PyFunction_New((PyObject *)code, globals);
    if (!func) return NULL;
    Py_XSETREF(func->func_builtins, Py_NewRef(builtins));
    PyFrameObject *object = PyObject_GC_NewVar(PyFrameObject, &PyFrame_Type, code->co_framesize);
    if (!object) {
        Py_DECREF(func);
        return NULL;
    }
    Frame *f = (Frame *)(void *)object->_f_frame_data;
    frame_init(f, func, Py_XNewRef(locals), code, 0);
    f->owner = FRAME_OWNED_BY_FRAME_OBJECT;
    f->instr_ptr = CODE_UNITS(code) + code->_co_firsttraceable + 1;
    object->f_back = NULL;
    object->f_frame = f;
    object->f_trace = NULL;
    object->f_lineno = 0;
    object->f_trace_lines = 1;
    object->f_trace_opcodes = 0;
    object->f_extra_locals = NULL;
    object->f_locals_cache = NULL;
    PyObject_GC_Track(object);
    return object;
}

/* ---- life ------------------------------------------------------------------------------------------------------------------ */

static void frame_dealloc(PyFrameObject *o)
{
    if (PyObject_GC_IsTracked((PyObject *)o)) PyObject_GC_UnTrack(o);
    PyObject *code = NULL;
    Py_CLEAR(o->f_back);
    Py_CLEAR(o->f_trace);
    Py_CLEAR(o->f_extra_locals);
    Py_CLEAR(o->f_locals_cache);
    Frame *f = (Frame *)(void *)o->_f_frame_data;
    if (o->f_frame == f && f->owner == FRAME_OWNED_BY_FRAME_OBJECT) {
        code = f->f_executable;
        f->f_executable = NULL;
        Py_CLEAR(f->f_funcobj);
        Py_CLEAR(f->f_locals);
        for (int i = 0; i < f->stacktop; i++) Py_CLEAR(f->localsplus[i]);
        f->stacktop = 0;
    }
    PyObject_GC_Del(o);
    Py_XDECREF(code);
}

static int frame_object_traverse(PyFrameObject *o, visitproc visit, void *arg)
{
    Py_VISIT(o->f_back);
    Py_VISIT(o->f_trace);
    Py_VISIT(o->f_extra_locals);
    Py_VISIT(o->f_locals_cache);
    return o->f_frame->owner == FRAME_OWNED_BY_FRAME_OBJECT ? frame_traverse(o->f_frame, visit, arg) : 0;
}

static int frame_object_clear(PyFrameObject *o)
{
    Py_CLEAR(o->f_trace);
    Py_CLEAR(o->f_extra_locals);
    Py_CLEAR(o->f_locals_cache);
    Frame *f = o->f_frame;
    int n = f->stacktop;
    f->stacktop = 0;
    for (int i = 0; i < n; i++) Py_CLEAR(f->localsplus[i]);
    Py_CLEAR(f->f_locals);
    return 0;
}

BUILTIN_NOARGS(frame, clear, "($self, /)", "Drop all references that the frame holds.")
{
    PyFrameObject *o = (PyFrameObject *)self;
    Frame *f = o->f_frame;
    if (f->owner == FRAME_OWNED_BY_GENERATOR) {
        PyGenObject *gen = frame_generator(f);
        if (gen->gi_frame_state == GEN_EXECUTING) goto running;
        if (gen_is_suspended(gen)) {
            PyErr_SetString(PyExc_RuntimeError, "cannot clear a suspended frame");
            return NULL;
        }
        if (Py_REFCNT(gen) <= 0) Py_RETURN_NONE;              /* its deallocator will do that, when callbacks have run */
        PyObject *keep = Py_NewRef(gen);
        Py_TYPE(gen)->tp_finalize((PyObject *)gen);
        Py_DECREF(keep);
    }
    else if (f->owner == FRAME_OWNED_BY_THREAD) goto running;
    else frame_object_clear(o);
    Py_RETURN_NONE;
running:
    PyErr_SetString(PyExc_RuntimeError, "cannot clear an executing frame");
    return NULL;
}

BUILTIN_NOARGS(frame, __sizeof__, "($self, /)", "Bytes of the frame object, its locals and stack included.")
{
    PyFrameObject *o = (PyFrameObject *)self;
    Py_ssize_t size = (Py_ssize_t)offsetof(PyFrameObject, _f_frame_data);
    PyCodeObject *co = frame_code(o->f_frame);
    return PyLong_FromSsize_t(size + co->co_framesize * (Py_ssize_t)sizeof(PyObject *));
}

static PyObject *frame_repr(PyFrameObject *o)
{
    PyCodeObject *co = frame_code(o->f_frame);
    return PyUnicode_FromFormat("<frame at %p, file %R, line %d, code %S>", o, co->co_filename, PyFrame_GetLineNumber(o), co->co_name);
}

/* ---- attributes ------------------------------------------------------------------------------------------------------------- */

PyCodeObject *PyFrame_GetCode(PyFrameObject *o) { return (PyCodeObject *)Py_NewRef(frame_code(o->f_frame)); }
PyObject *PyFrame_GetGlobals(PyFrameObject *o) { return Py_NewRef(o->f_frame->f_globals); }
PyObject *PyFrame_GetBuiltins(PyFrameObject *o) { return Py_NewRef(o->f_frame->f_builtins); }
PyObject *PyFrame_GetLocals(PyFrameObject *o) { return frame_locals(o->f_frame); }

int PyFrame_GetLasti(PyFrameObject *o)
{
    int lasti = frame_lasti_units(o->f_frame);
    return lasti < 0 ? -1 : lasti * (int)sizeof(CodeUnit);
}

int PyFrame_GetLineNumber(PyFrameObject *o) { return o->f_lineno ? o->f_lineno : frame_line(o->f_frame); }

PyFrameObject *PyFrame_GetBack(PyFrameObject *o)
{
    PyFrameObject *back = o->f_back;
    if (!back) {
        Frame *previous = frame_first_complete(o->f_frame->previous);
        if (previous && !(back = frame_object(previous))) PyErr_Clear();
    }
    return (PyFrameObject *)Py_XNewRef(back);
}

PyObject *PyFrame_GetGenerator(PyFrameObject *o)
{
    PyObject *gen = o->f_frame->owner == FRAME_OWNED_BY_GENERATOR ? (PyObject *)frame_generator(o->f_frame) : NULL;
    return gen && Py_REFCNT(gen) > 0 ? Py_NewRef(gen) : NULL;
}

int _PyFrame_IsEntryFrame(PyFrameObject *o)
{
    return o->f_frame->previous && o->f_frame->previous->owner == FRAME_OWNED_BY_CSTACK;
}

int PyFrame_FastToLocalsWithError(PyFrameObject *o) { return 0; }      /* f_locals writes through: nothing to copy */
void PyFrame_FastToLocals(PyFrameObject *o) { }
void PyFrame_LocalsToFast(PyFrameObject *o, int clear) { }

static PyObject *frame_get_locals(PyFrameObject *o, void *c) { return frame_locals(o->f_frame); }
static PyObject *frame_get_globals(PyFrameObject *o, void *c) { return PyFrame_GetGlobals(o); }
static PyObject *frame_get_builtins(PyFrameObject *o, void *c) { return PyFrame_GetBuiltins(o); }
static PyObject *frame_get_code(PyFrameObject *o, void *c)
{
    if (PySys_Audit("object.__getattr__", "Os", o, "f_code") < 0) return NULL;
    return (PyObject *)PyFrame_GetCode(o);
}
static PyObject *frame_get_back(PyFrameObject *o, void *c)
{
    PyObject *back = (PyObject *)PyFrame_GetBack(o);
    return back ? back : Py_NewRef(Py_None);
}
static PyObject *frame_get_lasti(PyFrameObject *o, void *c) { return PyLong_FromLong(PyFrame_GetLasti(o)); }
static PyObject *frame_get_lineno(PyFrameObject *o, void *c)
{
    int line = PyFrame_GetLineNumber(o);
    return line < 0 ? Py_NewRef(Py_None) : PyLong_FromLong(line);
}
static PyObject *frame_get_trace(PyFrameObject *o, void *c) { return Py_NewRef(o->f_trace ? o->f_trace : Py_None); }

PyObject *frame_object_trace(PyFrameObject *o) { return Py_XNewRef(o->f_trace); }

int frame_object_set_trace(PyFrameObject *o, PyObject *v)
{
    if (v == o->f_trace) return 0;
    Py_XSETREF(o->f_trace, Py_XNewRef(v));
    return v && o->f_trace_opcodes ? trace_opcodes_changed(o) : 0;
}

static int frame_set_trace(PyFrameObject *o, PyObject *v, void *c) { return frame_object_set_trace(o, v == Py_None ? NULL : v); }

static PyObject *frame_get_trace_opcodes(PyFrameObject *o, void *c) { return PyBool_FromLong(o->f_trace_opcodes); }
static int frame_set_trace_opcodes(PyFrameObject *o, PyObject *v, void *c)
{
    if (!v || !PyBool_Check(v)) {
        PyErr_SetString(PyExc_TypeError, "attribute value type must be bool");
        return -1;
    }
    o->f_trace_opcodes = v == Py_True;
    return trace_opcodes_changed(o);
}

static PyGetSetDef frame_getset[] = {
    {"f_back", (getter)frame_get_back},
    {"f_locals", (getter)frame_get_locals},
    {"f_globals", (getter)frame_get_globals},
    {"f_builtins", (getter)frame_get_builtins},
    {"f_code", (getter)frame_get_code},
    {"f_lasti", (getter)frame_get_lasti},
    {"f_lineno", (getter)frame_get_lineno, (setter)frame_set_lineno},
    {"f_trace", (getter)frame_get_trace, (setter)frame_set_trace},
    {"f_trace_opcodes", (getter)frame_get_trace_opcodes, (setter)frame_set_trace_opcodes},
    {0},
};

static PyMemberDef frame_members[] = { {"f_trace_lines", Py_T_BOOL, offsetof(PyFrameObject, f_trace_lines), 0}, {0} };
static PyMethodDef frame_methods[] = { METHOD(frame, clear), METHOD(frame, __sizeof__), {0} };

PyTypeObject PyFrame_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "frame",
    .tp_basicsize = offsetof(PyFrameObject, _f_frame_data),
    .tp_itemsize = sizeof(PyObject *),
    .tp_dealloc = (destructor)frame_dealloc,
    .tp_repr = (reprfunc)frame_repr,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_setattro = PyObject_GenericSetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = (traverseproc)frame_object_traverse,
    .tp_clear = (inquiry)frame_object_clear,
    .tp_methods = frame_methods,
    .tp_members = frame_members,
    .tp_getset = frame_getset,
};
