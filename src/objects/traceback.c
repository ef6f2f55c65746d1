/* Tracebacks: the type, and adding an entry while an exception passes through a frame. Printing one is in traceback_print.c. */
#include "eval/eval_private.h"
#include "capi/args.h"

/* The line is computed when someone asks: tb_lineno -1 until then. */
static PyObject *traceback_make(PyTracebackObject *next, PyFrameObject *frame, int lasti, int lineno)
{
    PyTracebackObject *tb = PyObject_GC_New(PyTracebackObject, &PyTraceBack_Type);
    if (!tb) return NULL;
    tb->tb_next = (PyTracebackObject *)Py_XNewRef(next);
    tb->tb_frame = (PyFrameObject *)Py_XNewRef(frame);
    tb->tb_lasti = lasti;
    tb->tb_lineno = lineno;
    PyObject_GC_Track(tb);
    return (PyObject *)tb;
}

int PyTraceBack_Here(PyFrameObject *frame)
{
    PyObject *exc = PyErr_GetRaisedException();
    if (!exc) return -1;
    PyObject *old = PyException_GetTraceback(exc);
    PyObject *tb = traceback_make((PyTracebackObject *)old, frame, PyFrame_GetLasti(frame), -1);
    Py_XDECREF(old);
    if (!tb) {                                       /* no memory: that is now the exception, and this one its context */
        _PyErr_ChainExceptions1(exc);
        return -1;
    }
    PyException_SetTraceback(exc, tb);
    Py_DECREF(tb);
    PyErr_SetRaisedException(exc);
    return 0;
}

/* ---- the type ------------------------------------------------------------------------------------------------------------ */

SIGNATURE(traceback_signature, "TracebackType", KEYWORDS, "(tb_next, tb_frame, tb_lasti, tb_lineno)");

static PyObject *traceback_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *arg[4];
    if (args_bind_tuple(&traceback_signature, args, kwargs, arg) < 0) return NULL;
    if (!PyFrame_Check(arg[1])) {
        PyErr_Format(PyExc_TypeError, "TracebackType() argument 'tb_frame' must be frame, not %.200s",
                     arg[1] == Py_None ? "None" : Py_TYPE(arg[1])->tp_name);
        return NULL;
    }
    int lasti = PyLong_AsInt(arg[2]);
    if (lasti == -1 && PyErr_Occurred()) return NULL;
    int lineno = PyLong_AsInt(arg[3]);
    if (lineno == -1 && PyErr_Occurred()) return NULL;
    if (arg[0] != Py_None && !PyTraceBack_Check(arg[0])) {
        PyErr_Format(PyExc_TypeError, "expected traceback object or None, got '%s'", Py_TYPE(arg[0])->tp_name);
        return NULL;
    }
    return traceback_make(arg[0] == Py_None ? NULL : (PyTracebackObject *)arg[0], (PyFrameObject *)arg[1], lasti, lineno);
}

static PyObject *traceback_next_get(PyTracebackObject *self, void *closure)
{
    return Py_NewRef(self->tb_next ? (PyObject *)self->tb_next : Py_None);
}

static int traceback_next_set(PyTracebackObject *self, PyObject *next, void *closure)
{
    if (!next) {
        PyErr_Format(PyExc_TypeError, "can't delete tb_next attribute");
        return -1;
    }
    if (next == Py_None) next = NULL;
    else if (!PyTraceBack_Check(next)) {
        PyErr_Format(PyExc_TypeError, "expected traceback object or None, got '%s'", Py_TYPE(next)->tp_name);
        return -1;
    }
    for (PyTracebackObject *at = (PyTracebackObject *)next; at; at = at->tb_next)
        if (at == self) {
            PyErr_Format(PyExc_ValueError, "traceback loop detected");
            return -1;
        }
    Py_XSETREF(self->tb_next, (PyTracebackObject *)Py_XNewRef(next));
    return 0;
}

static PyObject *traceback_lineno_get(PyTracebackObject *self, void *closure)
{
    int line = self->tb_lineno;
    if (line == -1) {
        PyCodeObject *co = PyFrame_GetCode(self->tb_frame);
        line = PyCode_Addr2Line(co, self->tb_lasti);
        Py_DECREF(co);
        if (line == -1) Py_RETURN_NONE;
    }
    return PyLong_FromLong(line);
}

BUILTIN_NOARGS(traceback, __dir__, "($self, /)", "Names of the attributes.")
{
    return Py_BuildValue("[ssss]", "tb_frame", "tb_next", "tb_lasti", "tb_lineno");
}

static PyMethodDef traceback_methods[] = { METHOD(traceback, __dir__), {0} };

static PyMemberDef traceback_members[] = {
    {"tb_frame", _Py_T_OBJECT, offsetof(PyTracebackObject, tb_frame), Py_READONLY | Py_AUDIT_READ},
    {"tb_lasti", Py_T_INT, offsetof(PyTracebackObject, tb_lasti), Py_READONLY},
    {0},
};

static PyGetSetDef traceback_getset[] = {
    {"tb_next", (getter)traceback_next_get, (setter)traceback_next_set},
    {"tb_lineno", (getter)traceback_lineno_get},
    {0},
};

static void traceback_dealloc(PyTracebackObject *tb)
{
    PyObject_GC_UnTrack(tb);
    Py_XDECREF(tb->tb_next);
    Py_XDECREF(tb->tb_frame);
    PyObject_GC_Del(tb);
}

static int traceback_traverse(PyTracebackObject *tb, visitproc visit, void *arg)
{
    Py_VISIT(tb->tb_next);
    Py_VISIT(tb->tb_frame);
    return 0;
}

static int traceback_clear(PyTracebackObject *tb)
{
    Py_CLEAR(tb->tb_next);
    Py_CLEAR(tb->tb_frame);
    return 0;
}

PyTypeObject PyTraceBack_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "traceback",
    .tp_basicsize = sizeof(PyTracebackObject),
    .tp_dealloc = (destructor)traceback_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_doc = "traceback(tb_next, tb_frame, tb_lasti, tb_lineno)\n--\n\nMake an entry of a traceback.",
    .tp_traverse = (traverseproc)traceback_traverse,
    .tp_clear = (inquiry)traceback_clear,
    .tp_methods = traceback_methods,
    .tp_members = traceback_members,
    .tp_getset = traceback_getset,
    .tp_new = traceback_new,
};
