/* _io._BufferedIOBase, and _io.BufferedRWPair: a reader and a writer that look like one stream. */
#include "io_private.h"

#define UNSUPPORTED(name, sig, text) BUILTIN(bufferediobase, name, KEYWORDS, sig, text) { return io_unsupported(io_state_of(self), #name); }

BUILTIN_NOARGS(bufferediobase, detach, "($self, /)", "Disconnect this buffer from its underlying raw stream and return it.") { return io_unsupported(io_state_of(self), "detach"); }
UNSUPPORTED(read, "($self, size=-1, /)", "Read and return up to size bytes, until EOF when size is negative or None.")
UNSUPPORTED(read1, "($self, size=-1, /)", "Read and return up to size bytes with at most one read() call to the raw stream.")
UNSUPPORTED(write, "($self, b, /)", "Write buffer b to the IO stream; return the number of bytes, always all of them.")

static PyObject *read_into(PyObject *self, PyObject *target, const char *method)
{
    Py_buffer buffer;
    if (!PyArg_Parse(target, "w*", &buffer)) return NULL;
    PyObject *data = PyObject_CallMethod(self, method, "n", buffer.len), *result = NULL;
    if (!data) goto done;
    if (!PyBytes_Check(data)) PyErr_SetString(PyExc_TypeError, "read() should return bytes");
    else if (PyBytes_GET_SIZE(data) > buffer.len)
        PyErr_Format(PyExc_ValueError, "read() returned too much data: %zd bytes requested, %zd returned", buffer.len, PyBytes_GET_SIZE(data));
    else {
        memcpy(buffer.buf, PyBytes_AS_STRING(data), (size_t)PyBytes_GET_SIZE(data));
        result = PyLong_FromSsize_t(PyBytes_GET_SIZE(data));
    }
done:
    PyBuffer_Release(&buffer);
    Py_XDECREF(data);
    return result;
}

BUILTIN_O(bufferediobase, readinto, "($self, buffer, /)", "") { return read_into(self, arg, "read"); }
BUILTIN_O(bufferediobase, readinto1, "($self, buffer, /)", "") { return read_into(self, arg, "read1"); }

static PyMethodDef bufferediobase_methods[] = {
    METHOD_BARE(bufferediobase, detach), METHOD(bufferediobase, read), METHOD(bufferediobase, read1), METHOD(bufferediobase, write),
    METHOD(bufferediobase, readinto), METHOD(bufferediobase, readinto1),
    { 0 }
};

static PyType_Slot bufferediobase_slots[] = {
    { Py_tp_doc, "Base class for buffered IO objects: read() may be short only at the end, write() takes everything." },
    { Py_tp_methods, bufferediobase_methods }, { 0, NULL }
};

PyType_Spec buffered_io_base_spec = {
    "_io._BufferedIOBase", 0, 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_IMMUTABLETYPE, bufferediobase_slots
};

/* ---- BufferedRWPair ---------------------------------------------------------------------------------------------------------- */

typedef struct RwPair { IO_HEAD PyObject *reader, *writer; } RwPair;

#define PAIR(o) ((RwPair *)(o))

SIGNATURE(rwpair_signature, "BufferedRWPair", POSITIONAL, "(reader, writer, buffer_size=8192, /)");

static int rwpair_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    PyObject *arg[3];
    Py_ssize_t size = DEFAULT_BUFFER_SIZE;
    IoState *state = io_state_of(self);
    if (kwargs && PyDict_GET_SIZE(kwargs) && Py_IS_TYPE(self, state->buffered_rwpair)) {
        PyErr_SetString(PyExc_TypeError, "BufferedRWPair() takes no keyword arguments");
        return -1;
    }
    if (args_bind_tuple(&rwpair_signature, args, NULL, arg) < 0) return -1;
    if (arg[2]) {
        size = PyNumber_AsSsize_t(arg[2], PyExc_OverflowError);
        if (size == -1 && PyErr_Occurred()) return -1;
    }
    if (io_require(state, arg[0], "readable") < 0 || io_require(state, arg[1], "writable") < 0) return -1;
    PyObject *reader = PyObject_CallFunction((PyObject *)state->buffered_reader, "On", arg[0], size);
    if (!reader) return -1;
    PyObject *writer = PyObject_CallFunction((PyObject *)state->buffered_writer, "On", arg[1], size);
    if (!writer) {
        Py_DECREF(reader);
        return -1;
    }
    Py_XSETREF(PAIR(self)->reader, reader);
    Py_XSETREF(PAIR(self)->writer, writer);
    return 0;
}

static PyObject *forward(PyObject *to, const char *method, PyObject *const *args, Py_ssize_t nargs)
{
    if (!to) {
        PyErr_SetString(PyExc_ValueError, "I/O operation on uninitialized object");
        return NULL;
    }
    PyObject *bound = PyObject_GetAttrString(to, method);
    if (!bound) return NULL;
    PyObject *result = PyObject_Vectorcall(bound, args, (size_t)nargs, NULL);
    Py_DECREF(bound);
    return result;
}

#define TO(side, name) BUILTIN_FAST(rwpair, name, "($self, /, *args)", "") { return forward(PAIR(self)->side, #name, args, nargs); }

TO(reader, read)
TO(reader, peek)
TO(reader, read1)
TO(reader, readinto)
TO(reader, readinto1)
TO(reader, readable)
TO(writer, write)
TO(writer, flush)
TO(writer, writable)

BUILTIN_NOARGS(rwpair, close, "($self, /)", "")
{
    PyObject *error = NULL, *result = forward(PAIR(self)->writer, "close", NULL, 0);
    if (result) Py_DECREF(result);
    else error = PyErr_GetRaisedException();
    result = forward(PAIR(self)->reader, "close", NULL, 0);
    if (error) {
        if (!result) {
            PyObject *later = PyErr_GetRaisedException();
            PyException_SetContext(later, error);
            PyErr_SetRaisedException(later);
        }
        else PyErr_SetRaisedException(error);
        Py_CLEAR(result);
    }
    return result;
}

BUILTIN_NOARGS(rwpair, isatty, "($self, /)", "")
{
    PyObject *result = forward(PAIR(self)->writer, "isatty", NULL, 0);
    if (result != Py_False) return result;
    Py_DECREF(result);
    return forward(PAIR(self)->reader, "isatty", NULL, 0);
}

static PyObject *rwpair_closed(PyObject *self, void *closure)
{
    if (!PAIR(self)->writer) return PyErr_Format(PyExc_RuntimeError, "the BufferedRWPair object is being garbage-collected");
    return PyObject_GetAttrString(PAIR(self)->writer, "closed");
}

static void rwpair_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    if (PAIR(self)->weakrefs) PyObject_ClearWeakRefs(self);
    Py_CLEAR(PAIR(self)->reader);
    Py_CLEAR(PAIR(self)->writer);
    Py_CLEAR(PAIR(self)->dict);
    type->tp_free(self);
    Py_DECREF(type);
}

static int rwpair_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(PAIR(self)->dict);
    Py_VISIT(PAIR(self)->writer);
    Py_VISIT(PAIR(self)->reader);
    return 0;
}

static int rwpair_clear(PyObject *self)
{
    Py_CLEAR(PAIR(self)->reader);
    Py_CLEAR(PAIR(self)->writer);
    Py_CLEAR(PAIR(self)->dict);
    return 0;
}

static PyMethodDef rwpair_methods[] = {
    METHOD_UNDOCUMENTED(rwpair, read), METHOD_UNDOCUMENTED(rwpair, peek), METHOD_UNDOCUMENTED(rwpair, read1), METHOD_UNDOCUMENTED(rwpair, readinto), METHOD_UNDOCUMENTED(rwpair, readinto1),
    METHOD_UNDOCUMENTED(rwpair, write), METHOD(rwpair, flush), METHOD(rwpair, readable), METHOD(rwpair, writable), METHOD(rwpair, close),
    METHOD(rwpair, isatty),
    { 0 }
};

static PyGetSetDef rwpair_getset[] = { { "closed", rwpair_closed, NULL, NULL, NULL }, { 0 } };

static PyMemberDef rwpair_members[] = {
    { "__weaklistoffset__", Py_T_PYSSIZET, offsetof(RwPair, weakrefs), Py_READONLY, NULL },
    { "__dictoffset__", Py_T_PYSSIZET, offsetof(RwPair, dict), Py_READONLY, NULL },
    { 0 }
};

static PyType_Slot rwpair_slots[] = {
    { Py_tp_doc, "BufferedRWPair(reader, writer, buffer_size=8192, /)\n--\n\nA buffered reader and writer object together." },
    { Py_tp_init, rwpair_init }, { Py_tp_dealloc, rwpair_dealloc }, { Py_tp_traverse, rwpair_traverse }, { Py_tp_clear, rwpair_clear },
    { Py_tp_methods, rwpair_methods }, { Py_tp_getset, rwpair_getset }, { Py_tp_members, rwpair_members }, { 0, NULL }
};

PyType_Spec buffered_rwpair_spec = {
    "_io.BufferedRWPair", sizeof(RwPair), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE, rwpair_slots
};
