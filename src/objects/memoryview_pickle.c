/* pickle.PickleBuffer: says that a buffer may be pickled out of band, and passes the buffer on. */
#include "capi/args.h"

#include <string.h>

/* Declared by no public header, but exported. */
PyAPI_DATA(PyTypeObject) PyPickleBuffer_Type;
PyAPI_FUNC(PyObject *) PyPickleBuffer_FromObject(PyObject *base);
PyAPI_FUNC(const Py_buffer *) PyPickleBuffer_GetBuffer(PyObject *o);
PyAPI_FUNC(int) PyPickleBuffer_Release(PyObject *o);

typedef struct PickleBuffer {
    PyObject_HEAD
    Py_buffer view;                           /* obj is NULL when released */
    PyObject *weakreflist;
} PickleBuffer;

#define PICKLE_BUFFER(o) ((PickleBuffer *)(o))

static const Py_buffer *get_view(PyObject *o)
{
    if (PICKLE_BUFFER(o)->view.obj) return &PICKLE_BUFFER(o)->view;
    PyErr_SetString(PyExc_ValueError, "operation forbidden on released PickleBuffer object");
    return NULL;
}

static PyObject *make(PyTypeObject *type, PyObject *base)
{
    PickleBuffer *p = (PickleBuffer *)type->tp_alloc(type, 0);
    if (!p) return NULL;
    p->view.obj = NULL;
    p->weakreflist = NULL;
    if (PyObject_GetBuffer(base, &p->view, PyBUF_FULL_RO) < 0) {
        p->view.obj = NULL;
        Py_DECREF(p);
        return NULL;
    }
    return (PyObject *)p;
}

PyObject *PyPickleBuffer_FromObject(PyObject *base) { return make(&PyPickleBuffer_Type, base); }

static bool require(PyObject *o)
{
    if (Py_IS_TYPE(o, &PyPickleBuffer_Type)) return true;
    PyErr_Format(PyExc_TypeError, "expected PickleBuffer, %.200s found", Py_TYPE(o)->tp_name);
    return false;
}

const Py_buffer *PyPickleBuffer_GetBuffer(PyObject *o) { return require(o) ? get_view(o) : NULL; }

int PyPickleBuffer_Release(PyObject *o)
{
    if (!require(o)) return -1;
    PyBuffer_Release(&PICKLE_BUFFER(o)->view);
    return 0;
}


static PyObject *pickle_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static const char *const names[] = { "", NULL };
    PyObject *base;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O:PickleBuffer", (char **)(uintptr_t)names, &base)) return NULL;
    return make(type, base);
}

static void pickle_dealloc(PyObject *o)
{
    PyObject_GC_UnTrack(o);
    if (PICKLE_BUFFER(o)->weakreflist) PyObject_ClearWeakRefs(o);
    PyBuffer_Release(&PICKLE_BUFFER(o)->view);
    Py_TYPE(o)->tp_free(o);
}

static int pickle_traverse(PyObject *o, visitproc visit, void *arg)
{
    Py_VISIT(PICKLE_BUFFER(o)->view.obj);
    return 0;
}

static int pickle_clear(PyObject *o)
{
    PyBuffer_Release(&PICKLE_BUFFER(o)->view);
    return 0;
}

/* The buffer is that of the base object, asked for anew: it counts as the consumer's, released by the base. */
static int pickle_getbuffer(PyObject *o, Py_buffer *view, int flags)
{
    if (!get_view(o)) return -1;
    return PyObject_GetBuffer(PICKLE_BUFFER(o)->view.obj, view, flags);
}

static void pickle_releasebuffer(PyObject *Py_UNUSED(o), Py_buffer *Py_UNUSED(view)) {}

static PyBufferProcs pickle_as_buffer = { pickle_getbuffer, pickle_releasebuffer };

BUILTIN_NOARGS(pickle, raw, "($self, /)", "A one-dimensional memoryview of the bytes, which must be contiguous.")
{
    const Py_buffer *view = get_view(self);
    if (!view) return NULL;
    if (view->suboffsets || !PyBuffer_IsContiguous(view, 'A')) {
        PyErr_SetString(PyExc_BufferError, "cannot extract raw buffer from non-contiguous buffer");
        return NULL;
    }
    PyObject *o = PyMemoryView_FromObject(self);
    if (!o) return NULL;
    Py_buffer *raw = PyMemoryView_GET_BUFFER(o);
    PyMemoryViewObject *m = (PyMemoryViewObject *)o;
    raw->format = (char *)(uintptr_t)"B";
    raw->ndim = 1;
    raw->itemsize = 1;
    raw->strides = &raw->itemsize;
    raw->shape = &raw->len;
    raw->suboffsets = NULL;
    m->flags = (m->flags & ~_Py_MEMORYVIEW_SCALAR) | _Py_MEMORYVIEW_C | _Py_MEMORYVIEW_FORTRAN;
    return o;
}

BUILTIN_NOARGS(pickle, release, "($self, /)", "Give up the buffer.")
{
    PyBuffer_Release(&PICKLE_BUFFER(self)->view);
    Py_RETURN_NONE;
}

static PyMethodDef pickle_methods[] = { METHOD(pickle, raw), METHOD(pickle, release), {0} };

PyTypeObject PyPickleBuffer_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "pickle.PickleBuffer",
    .tp_basicsize = sizeof(PickleBuffer),
    .tp_dealloc = pickle_dealloc,
    .tp_as_buffer = &pickle_as_buffer,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_doc = "A buffer that may be pickled out of band (protocol 5).",
    .tp_traverse = pickle_traverse,
    .tp_clear = pickle_clear,
    .tp_weaklistoffset = offsetof(PickleBuffer, weakreflist),
    .tp_methods = pickle_methods,
    .tp_new = pickle_new,
};
