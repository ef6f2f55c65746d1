/* The _bz2 module: BZ2Compressor and BZ2Decompressor over libbz2.
 *
 * Each object has a lock, held while the library works without the GIL. The library counts in unsigned ints, so that longer
 * input goes through in pieces. What a decompressor has been given and has not used yet is kept in `input`, bytes [at, length). */
#include "capi/args.h"

#include <bzlib.h>
#include <limits.h>
#include <string.h>

enum { FIRST_OUTPUT = 32 * 1024, MOST_GROWTH = 64 * 1024 * 1024 };

typedef struct Output { PyObject *bytes; Py_ssize_t used, limit; } Output;       /* limit < 0: none */

typedef struct Compressor { PyObject_HEAD bz_stream stream; bool ready, flushed; PyThread_type_lock lock; } Compressor;

typedef struct Decompressor {
    PyObject_HEAD
    bz_stream stream;
    bool ready, failed;
    char eof, needs_input;
    PyObject *unused_data;
    char *input;
    size_t at, length, room;
    PyThread_type_lock lock;
} Decompressor;

#define COMPRESSOR(o) ((Compressor *)(o))
#define DECOMPRESSOR(o) ((Decompressor *)(o))

static void acquire(PyThread_type_lock lock)
{
    if (PyThread_acquire_lock(lock, NOWAIT_LOCK)) return;
    Py_BEGIN_ALLOW_THREADS
    PyThread_acquire_lock(lock, WAIT_LOCK);
    Py_END_ALLOW_THREADS
}

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

/* ---- output that grows ---- */

static int output_start(Output *out, bz_stream *stream, Py_ssize_t limit)
{
    Py_ssize_t size = limit >= 0 && limit < FIRST_OUTPUT ? limit : FIRST_OUTPUT;
    *out = (Output){ PyBytes_FromStringAndSize(NULL, size), 0, limit };
    if (!out->bytes) return -1;
    stream->next_out = PyBytes_AS_STRING(out->bytes);
    stream->avail_out = (unsigned)size;
    return 0;
}

/* More room behind what is full. 1: done, 0: the limit is reached, -1: out of memory. */
static int output_grow(Output *out, bz_stream *stream)
{
    Py_ssize_t size = PyBytes_GET_SIZE(out->bytes), more = size < FIRST_OUTPUT ? FIRST_OUTPUT : size < MOST_GROWTH ? size : MOST_GROWTH;
    if (out->limit >= 0 && more > out->limit - size) more = out->limit - size;
    if (!more) return 0;
    if (size > PY_SSIZE_T_MAX - more) {
        PyErr_NoMemory();
        return -1;
    }
    if (_PyBytes_Resize(&out->bytes, size + more) < 0) return -1;
    stream->next_out = PyBytes_AS_STRING(out->bytes) + size;
    stream->avail_out = (unsigned)more;
    return 1;
}

static PyObject *output_finish(Output *out, bz_stream *stream)
{
    if (stream->avail_out) _PyBytes_Resize(&out->bytes, PyBytes_GET_SIZE(out->bytes) - stream->avail_out);
    return out->bytes;
}

/* ---- compressor ---- */

static PyObject *compress(Compressor *c, char *data, size_t left, int action)
{
    Output out;
    if (output_start(&out, &c->stream, -1) < 0) return NULL;
    c->stream.next_in = data;
    c->stream.avail_in = 0;
    for (;;) {
        if (!c->stream.avail_in && left) {
            c->stream.avail_in = left > UINT_MAX ? UINT_MAX : (unsigned)left;
            left -= c->stream.avail_in;
        }
        if (action == BZ_RUN && !c->stream.avail_in) break;
        if (!c->stream.avail_out && output_grow(&out, &c->stream) < 0) goto fail;
        int code;
        Py_BEGIN_ALLOW_THREADS
        code = BZ2_bzCompress(&c->stream, action);
        Py_END_ALLOW_THREADS
        if (check(code) < 0) goto fail;
        if (action == BZ_FINISH && code == BZ_STREAM_END) break;
    }
    return output_finish(&out, &c->stream);
fail:
    Py_XDECREF(out.bytes);
    return NULL;
}

BUILTIN_O(compressor, compress, "($self, data, /)", "Give data to the compressor; what of its output is ready is returned.")
{
    Compressor *c = COMPRESSOR(self);
    Py_buffer view;
    PyObject *result = NULL;
    if (PyObject_GetBuffer(arg, &view, PyBUF_SIMPLE) < 0) return NULL;
    acquire(c->lock);
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
    acquire(c->lock);
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
    PyTypeObject *type = Py_TYPE(self);
    if (COMPRESSOR(self)->ready) BZ2_bzCompressEnd(&COMPRESSOR(self)->stream);
    if (COMPRESSOR(self)->lock) PyThread_free_lock(COMPRESSOR(self)->lock);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMethodDef compressor_methods[] = { METHOD(compressor, compress), METHOD(compressor, flush), { 0 } };
static PyType_Slot compressor_slots[] = {
    { Py_tp_dealloc, compressor_dealloc }, { Py_tp_new, compressor_new }, { Py_tp_methods, compressor_methods },
    { Py_tp_doc, (char *)"BZ2Compressor(compresslevel=9, /)\n--\n\nCompress data piece by piece." }, { 0, NULL }
};
static PyType_Spec compressor_spec = { "_bz2.BZ2Compressor", sizeof(Compressor), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE, compressor_slots };

/* ---- decompressor ---- */

/* Runs the library over [*data, *data + *left), leaving there what it did not use. */
static PyObject *decompress(Decompressor *d, char **data, size_t *left, Py_ssize_t limit)
{
    Output out;
    if (output_start(&out, &d->stream, limit) < 0) return NULL;
    d->stream.next_in = *data;
    d->stream.avail_in = 0;
    for (;;) {
        unsigned piece = *left > UINT_MAX ? UINT_MAX : (unsigned)*left;
        int code, grown;
        d->stream.avail_in = piece;
        Py_BEGIN_ALLOW_THREADS
        code = BZ2_bzDecompress(&d->stream);
        Py_END_ALLOW_THREADS
        *left -= piece - d->stream.avail_in;
        if (check(code) < 0) goto fail;
        if (code == BZ_STREAM_END) {
            d->eof = 1;
            break;
        }
        if (!d->stream.avail_out) {
            if ((grown = output_grow(&out, &d->stream)) < 0) goto fail;
            if (!grown) break;
        }
        else if (!*left) break;
    }
    *data = d->stream.next_in;
    return output_finish(&out, &d->stream);
fail:
    *data = d->stream.next_in;
    Py_XDECREF(out.bytes);
    return NULL;
}

/* Appends to the input kept. 0, or -1 with MemoryError. */
static int keep_input(Decompressor *d, const char *data, size_t n)
{
    if (d->length + n > d->room) {
        if (d->at) {
            memmove(d->input, d->input + d->at, d->length - d->at);
            d->length -= d->at;
            d->at = 0;
        }
        if (d->length + n > d->room) {
            char *larger = PyMem_Realloc(d->input, d->length + n);
            if (!larger) {
                PyErr_NoMemory();
                return -1;
            }
            d->input = larger;
            d->room = d->length + n;
        }
    }
    memcpy(d->input + d->length, data, n);
    d->length += n;
    return 0;
}

static PyObject *decompress_more(Decompressor *d, char *data, size_t n, Py_ssize_t limit)
{
    bool kept = d->at < d->length;
    if (kept) {
        if (keep_input(d, data, n) < 0) return NULL;
        data = d->input + d->at;
        n = d->length - d->at;
    }
    PyObject *result = decompress(d, &data, &n, limit);
    if (!result) {
        d->at = d->length = 0;
        d->needs_input = 0;
        d->failed = true;                     /* the library's state is not to be used again */
        return NULL;
    }
    if (d->eof) {
        d->needs_input = 0;
        d->at = d->length = 0;
        if (n) {
            PyObject *rest = PyBytes_FromStringAndSize(data, (Py_ssize_t)n);
            if (!rest) goto fail;
            Py_SETREF(d->unused_data, rest);
        }
    }
    else if (!n) {
        d->at = d->length = 0;
        d->needs_input = d->stream.avail_out != 0;
    }
    else {
        d->needs_input = 0;
        if (kept) d->at = (size_t)(data - d->input);
        else if (keep_input(d, data, n) < 0) goto fail;
    }
    return result;
fail:
    Py_DECREF(result);
    return NULL;
}

BUILTIN(decompressor, decompress, KEYWORDS, "($self, /, data, max_length=-1)", "Decompress data, up to max_length bytes of output if that is not negative.")
{
    Decompressor *d = DECOMPRESSOR(self);
    Py_ssize_t limit = -1;
    Py_buffer view;
    PyObject *result = NULL;
    if (PyObject_GetBuffer(arg[0], &view, PyBUF_SIMPLE) < 0) return NULL;
    if (arg[1]) {
        PyObject *index = PyNumber_Index(arg[1]);
        if (index) {
            limit = PyLong_AsSsize_t(index);
            Py_DECREF(index);
        }
        if (limit == -1 && PyErr_Occurred()) goto done;
    }
    acquire(d->lock);
    if (d->eof) PyErr_SetString(PyExc_EOFError, "End of stream already reached");
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
    d->needs_input = 1;
    if (!(d->lock = PyThread_allocate_lock())) PyErr_SetString(PyExc_MemoryError, "Unable to allocate lock");
    else if ((d->unused_data = PyBytes_FromStringAndSize(NULL, 0)) && check(BZ2_bzDecompressInit(&d->stream, 0, 0)) == 0) {
        d->ready = true;
        return (PyObject *)d;
    }
    Py_DECREF(d);
    return NULL;
}

static void decompressor_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    Decompressor *d = DECOMPRESSOR(self);
    if (d->ready) BZ2_bzDecompressEnd(&d->stream);
    if (d->lock) PyThread_free_lock(d->lock);
    PyMem_Free(d->input);
    Py_XDECREF(d->unused_data);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMethodDef decompressor_methods[] = { METHOD(decompressor, decompress), { 0 } };
static PyMemberDef decompressor_members[] = {
    { "eof", Py_T_BOOL, offsetof(Decompressor, eof), Py_READONLY, "True once the end of the stream was seen." },
    { "unused_data", Py_T_OBJECT_EX, offsetof(Decompressor, unused_data), Py_READONLY, "Data found behind the end of the stream." },
    { "needs_input", Py_T_BOOL, offsetof(Decompressor, needs_input), Py_READONLY, "True if more input is needed before more output can come." },
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
    PyType_Spec *specs[] = { &compressor_spec, &decompressor_spec };
    for (size_t i = 0; i < ARRAY_LENGTH(specs); i++) {
        PyObject *type = PyType_FromModuleAndSpec(module, specs[i], NULL);
        int r = type ? PyModule_AddType(module, (PyTypeObject *)type) : -1;
        Py_XDECREF(type);
        if (r < 0) return -1;
    }
    return 0;
}

static PyModuleDef_Slot bz2_slots[] = {
    { Py_mod_exec, bz2_exec }, { Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED }, { 0, NULL }
};
static PyModuleDef bz2_module = { PyModuleDef_HEAD_INIT, "_bz2", "Compression with libbz2.", 0, NULL, bz2_slots, NULL, NULL, NULL };

PyMODINIT_FUNC PyInit__bz2(void) { return PyModuleDef_Init(&bz2_module); }
