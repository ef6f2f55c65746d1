/* The _bz2 module: BZ2Compressor and BZ2Decompressor over libbz2.
 *
 * Each object has a lock, held while the library works without the GIL. The library counts in unsigned ints, so that longer
 * input goes through in pieces. */
#include "modules/compression.h"

#include <bzlib.h>

typedef struct Compressor { PyObject_HEAD bz_stream stream; bool ready, flushed; PyThread_type_lock lock; } Compressor;

typedef struct Decompressor {
    PyObject_HEAD
    bz_stream stream;
    bool ready, failed;
    Feed feed;
    PyThread_type_lock lock;
} Decompressor;

#define COMPRESSOR(o) ((Compressor *)(o))
#define DECOMPRESSOR(o) ((Decompressor *)(o))

/* 0, or -1 with an exception for what the library says went wrong. */
static int check(int code)
{
    switch (code) {
    case BZ_OK: case BZ_RUN_OK: case BZ_FLUSH_OK: case BZ_FINISH_OK: case BZ_STREAM_END: return 0;
    case BZ_CONFIG_ERROR: PyErr_SetString(PyExc_SystemError, "libbzip2 was not compiled correctly"); break;
    case BZ_PARAM_ERROR: PyErr_SetString(PyExc_ValueError, "Internal error - invalid parameters passed to libbzip2"); break;
    case BZ_MEM_ERROR: PyErr_NoMemory(); break;
    case BZ_DATA_ERROR: case BZ_DATA_ERROR_MAGIC: PyErr_SetString(PyExc_OSError, "Invalid data stream"); break;
    case BZ_IO_ERROR: PyErr_SetString(PyExc_OSError, "Unknown I/O error"); break;
    case BZ_UNEXPECTED_EOF:
        PyErr_SetString(PyExc_EOFError, "Compressed file ended before the logical end-of-stream was detected");
        break;
    case BZ_SEQUENCE_ERROR:
        PyErr_SetString(PyExc_RuntimeError, "Internal error - Invalid sequence of commands sent to libbzip2");
        break;
    default: PyErr_Format(PyExc_OSError, "Unrecognized error from libbzip2: %d", code);
    }
    return -1;
}

/* Room for output: 1, 0 when the limit is reached, -1. */
static int offer_output(Output *out, bz_stream *stream)
{
    Py_ssize_t room = output_room(out);
    if (room < 0) return -1;
    stream->next_out = output_next(out);
    stream->avail_out = (unsigned)room;
    return room != 0;
}

/* ---- compressor ---- */

static PyObject *compress(Compressor *c, char *data, size_t left, int action)
{
    Output out;
    int code;
    if (output_start(&out, OUTPUT_FIRST, -1) < 0) return NULL;
    c->stream.next_in = data;
    c->stream.avail_in = 0;
    for (;;) {
        if (!c->stream.avail_in && left) {
            c->stream.avail_in = left > UINT_MAX ? UINT_MAX : (unsigned)left;
            left -= c->stream.avail_in;
        }
        if (action == BZ_RUN && !c->stream.avail_in) break;
        if (offer_output(&out, &c->stream) < 0) goto fail;
        Py_BEGIN_ALLOW_THREADS
        code = BZ2_bzCompress(&c->stream, action);
        Py_END_ALLOW_THREADS
        output_took(&out, c->stream.next_out);
        if (check(code) < 0) goto fail;
        if (action == BZ_FINISH && code == BZ_STREAM_END) break;
    }
    return output_finish(&out);
fail:
    output_drop(&out);
    return NULL;
}

BUILTIN_O(compressor, compress, "($self, data, /)", "Give data to the compressor; what of its output is ready is returned.")
{
    Compressor *c = COMPRESSOR(self);
    Py_buffer view;
    PyObject *result = NULL;
    if (PyObject_GetBuffer(arg, &view, PyBUF_SIMPLE) < 0) return NULL;
    stream_lock(c->lock);
    if (c->flushed) PyErr_SetString(PyExc_ValueError, "Compressor has been flushed");
    else result = compress(c, view.buf, (size_t)view.len, BZ_RUN);
    PyThread_release_lock(c->lock);
    PyBuffer_Release(&view);
    return result;
}

BUILTIN_NOARGS(compressor, flush, "($self, /)", "Finish, and return what output is left.")
{
    Compressor *c = COMPRESSOR(self);
    PyObject *result = NULL;
    stream_lock(c->lock);
    if (c->flushed) PyErr_SetString(PyExc_ValueError, "Repeated call to flush()");
    else {
        c->flushed = true;
        result = compress(c, NULL, 0, BZ_FINISH);
    }
    PyThread_release_lock(c->lock);
    return result;
}

SIGNATURE(compressor_signature, "BZ2Compressor", POSITIONAL, "(compresslevel=9, /)");

static PyObject *compressor_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *arg[1];
    int level = 9;
    if (args_bind_tuple(&compressor_signature, args, kwargs, arg) < 0) return NULL;
    if (arg[0] && (level = PyLong_AsInt(arg[0])) == -1 && PyErr_Occurred()) return NULL;
    if (level < 1 || level > 9) {
        PyErr_SetString(PyExc_ValueError, "compresslevel must be between 1 and 9");
        return NULL;
    }
    Compressor *c = (Compressor *)type->tp_alloc(type, 0);
    if (!c) return NULL;
    if (!(c->lock = PyThread_allocate_lock())) PyErr_SetString(PyExc_MemoryError, "Unable to allocate lock");
    else if (check(BZ2_bzCompressInit(&c->stream, level, 0, 0)) == 0) {
        c->ready = true;
        return (PyObject *)c;
    }
    Py_DECREF(c);
    return NULL;
}

static void compressor_dealloc(PyObject *self)
{
    if (COMPRESSOR(self)->ready) BZ2_bzCompressEnd(&COMPRESSOR(self)->stream);
    if (COMPRESSOR(self)->lock) PyThread_free_lock(COMPRESSOR(self)->lock);
    free_instance(self);
}

static PyMethodDef compressor_methods[] = { METHOD(compressor, compress), METHOD(compressor, flush), { 0 } };
static PyType_Slot compressor_slots[] = {
    { Py_tp_dealloc, compressor_dealloc }, { Py_tp_new, compressor_new }, { Py_tp_methods, compressor_methods },
    { Py_tp_doc, (char *)"BZ2Compressor(compresslevel=9, /)\n--\n\nCompress data piece by piece." }, { 0, NULL }
};
static PyType_Spec compressor_spec = { "_bz2.BZ2Compressor", sizeof(Compressor), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE, compressor_slots };

/* ---- decompressor ---- */

/* Runs the library over [*data, *data + *left), leaving there what it did not use. */
static PyObject *decompress(Decompressor *d, const void **data, size_t *left, Py_ssize_t limit)
{
    Output out;
    int code, room;
    if (output_start(&out, OUTPUT_FIRST, limit) < 0) return NULL;
    d->stream.next_in = (char *)*data;
    if (offer_output(&out, &d->stream) < 0) goto fail;
    for (;;) {
        unsigned piece = d->stream.avail_in = *left > UINT_MAX ? UINT_MAX : (unsigned)*left;
        Py_BEGIN_ALLOW_THREADS
        code = BZ2_bzDecompress(&d->stream);
        Py_END_ALLOW_THREADS
        output_took(&out, d->stream.next_out);
        *left -= piece - d->stream.avail_in;
        if (check(code) < 0) goto fail;
        if (code == BZ_STREAM_END) {
            d->feed.eof = 1;
            break;
        }
        if (d->stream.avail_out) {
            if (!*left) break;
        }
        else if ((room = offer_output(&out, &d->stream)) < 0) goto fail;
        else if (!room) break;
    }
    *data = d->stream.next_in;
    return output_finish(&out);
fail:
    output_drop(&out);
    return NULL;
}

static PyObject *decompress_more(Decompressor *d, const void *data, size_t n, Py_ssize_t limit)
{
    if (feed_offer(&d->feed, &data, &n) < 0) return NULL;
    PyObject *result = decompress(d, &data, &n, limit);
    if (!result) {
        feed_forget(&d->feed);
        d->feed.needs_input = 0;
        d->failed = true;                     /* the library's state is not to be used again */
    }
    else if (feed_settle(&d->feed, data, n, d->stream.avail_out != 0) < 0) Py_CLEAR(result);
    return result;
}

BUILTIN(decompressor, decompress, KEYWORDS, "($self, /, data, max_length=-1)", "Decompress data, up to max_length bytes of output if that is not negative.")
{
    Decompressor *d = DECOMPRESSOR(self);
    Py_ssize_t limit;
    Py_buffer view;
    PyObject *result = NULL;
    if (PyObject_GetBuffer(arg[0], &view, PyBUF_SIMPLE) < 0) return NULL;
    if (size_argument(arg[1], -1, &limit) < 0) goto done;
    stream_lock(d->lock);
    if (d->feed.eof) PyErr_SetString(PyExc_EOFError, "End of stream already reached");
    else if (d->failed) PyErr_SetString(PyExc_ValueError, "Decompressor is unusable after a previous error");
    else result = decompress_more(d, view.buf, (size_t)view.len, limit);
    PyThread_release_lock(d->lock);
done:
    PyBuffer_Release(&view);
    return result;
}

static PyObject *decompressor_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    if (PyTuple_GET_SIZE(args) || (kwargs && PyDict_GET_SIZE(kwargs)))
        return PyErr_Format(PyExc_TypeError, "BZ2Decompressor() takes no %s arguments", PyTuple_GET_SIZE(args) ? "positional" : "keyword");
    Decompressor *d = (Decompressor *)type->tp_alloc(type, 0);
    if (!d) return NULL;
    if (!(d->lock = PyThread_allocate_lock())) PyErr_SetString(PyExc_MemoryError, "Unable to allocate lock");
    else if (feed_init(&d->feed) == 0 && check(BZ2_bzDecompressInit(&d->stream, 0, 0)) == 0) {
        d->ready = true;
        return (PyObject *)d;
    }
    Py_DECREF(d);
    return NULL;
}

static void decompressor_dealloc(PyObject *self)
{
    Decompressor *d = DECOMPRESSOR(self);
    if (d->ready) BZ2_bzDecompressEnd(&d->stream);
    if (d->lock) PyThread_free_lock(d->lock);
    feed_fini(&d->feed);
    free_instance(self);
}

static PyMethodDef decompressor_methods[] = { METHOD(decompressor, decompress), { 0 } };
static PyMemberDef decompressor_members[] = {
    FEED_MEMBERS(Decompressor, feed),
    { 0 }
};
static PyType_Slot decompressor_slots[] = {
    { Py_tp_dealloc, decompressor_dealloc }, { Py_tp_new, decompressor_new }, { Py_tp_methods, decompressor_methods }, { Py_tp_members, decompressor_members },
    { Py_tp_doc, (char *)"BZ2Decompressor()\n--\n\nDecompress data piece by piece." }, { 0, NULL }
};
static PyType_Spec decompressor_spec = { "_bz2.BZ2Decompressor", sizeof(Decompressor), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE, decompressor_slots };

/* ---- module ---- */

static int bz2_exec(PyObject *module)
{
    return module_add_type(module, &compressor_spec, NULL) < 0 ? -1 : module_add_type(module, &decompressor_spec, NULL);
}

static PyModuleDef_Slot bz2_slots[] = {
    { Py_mod_exec, bz2_exec }, { Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED }, { 0, NULL }
};
static PyModuleDef bz2_module = { PyModuleDef_HEAD_INIT, "_bz2", "Compression with libbz2.", 0, NULL, bz2_slots, NULL, NULL, NULL };

PyMODINIT_FUNC PyInit__bz2(void) { return PyModuleDef_Init(&bz2_module); }
