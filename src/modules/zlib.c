/* zlib: compression and decompression over the zlib library.
 *
 * The library works while the GIL is released; each object has a lock of its own, so that two threads cannot be in its
 * stream at once. Input and output longer than zlib's unsigned counters go through in pieces. */
#include "modules/compression.h"

#include <structmember.h>
#include <zlib.h>

#if MAX_MEM_LEVEL >= 8
#define MEM_LEVEL 8
#else
#define MEM_LEVEL MAX_MEM_LEVEL
#endif
enum { INITIAL_SIZE = 16 * 1024, DEFLATED = Z_DEFLATED };

typedef struct ZlibState { PyTypeObject *compress_type, *decompress_type, *decompressor_type; PyObject *error; } ZlibState;

typedef struct Stream {                       /* Compress and Decompress */
    PyObject_HEAD
    z_stream z;
    PyObject *unused_data, *unconsumed_tail;  /* bytes */
    char eof;
    bool ready;                               /* z is to be ended */
    PyObject *zdict;
    PyThread_type_lock lock;
} Stream;

#define STREAM(o) ((Stream *)(o))

static PyModuleDef zlib_module;

static ZlibState *state_of_module(PyObject *module) { return PyModule_GetState(module); }
static ZlibState *state_of(PyObject *o)
{
    PyObject *module = PyType_GetModuleByDef(Py_TYPE(o), &zlib_module);
    assert(module);
    return PyModule_GetState(module);
}

static COLD void zlib_error(ZlibState *state, const z_stream *z, int err, const char *what)
{
    const char *message = err == Z_VERSION_ERROR ? "library version mismatch" : z->msg;
    if (!message) {
        switch (err) {
        case Z_BUF_ERROR: message = "incomplete or truncated stream"; break;
        case Z_STREAM_ERROR: message = "inconsistent stream state"; break;
        case Z_DATA_ERROR: message = "invalid input data"; break;
        default: break;
        }
    }
    if (message) PyErr_Format(state->error, "Error %d %s: %.200s", err, what, message);
    else PyErr_Format(state->error, "Error %d %s", err, what);
}

static voidpf zlib_malloc(voidpf Py_UNUSED(opaque), uInt items, uInt size)
{
    return size && items > (size_t)PY_SSIZE_T_MAX / size ? NULL : PyMem_RawMalloc((size_t)items * size);
}

static void zlib_free(voidpf Py_UNUSED(opaque), voidpf p) { PyMem_RawFree(p); }

static void stream_init(z_stream *z)
{
    memset(z, 0, sizeof *z);
    z->zalloc = zlib_malloc;
    z->zfree = zlib_free;
}

/* ---- steps ------------------------------------------------------------------------------------------------------------------------------------ */

enum { RAISED = -100, FULL = -101 };          /* beside the codes of zlib */

/* Calls deflate or inflate once, without the GIL. Its code; FULL when the output has reached its limit, RAISED. */
static int step(Output *out, z_stream *z, int (*function)(z_stream *, int), int flush)
{
    int err;
    Py_ssize_t room = output_room(out);
    if (room <= 0) return room < 0 ? RAISED : FULL;
    z->next_out = output_next(out);
    z->avail_out = (uInt)room;
    Py_BEGIN_ALLOW_THREADS
    err = function(z, flush);
    Py_END_ALLOW_THREADS
    output_took(out, z->next_out);
    return err;
}

/* The next piece of input. */
static void offer_input(z_stream *z, Py_ssize_t *left)
{
    z->avail_in = *left > (Py_ssize_t)UINT_MAX ? UINT_MAX : (uInt)*left;
    *left -= z->avail_in;
}

/* ---- whole strings ------------------------------------------------------------------------------------------------------------------------------ */

BUILTIN(zlib, compress, KEYWORDS, "($module, data, /, level=Z_DEFAULT_COMPRESSION, wbits=MAX_WBITS)",
    "The data compressed.\n\n  level\n    0 to 9, or -1 for the default\n  wbits\n    the window size and the container format")
{
    ZlibState *state = state_of_module(self);
    Py_buffer data;
    int level, wbits, err;
    z_stream z;
    Output out;
    if (PyObject_GetBuffer(arg[0], &data, PyBUF_SIMPLE) < 0) return NULL;
    if (int_argument(arg[1], Z_DEFAULT_COMPRESSION, &level) < 0 || int_argument(arg[2], MAX_WBITS, &wbits) < 0 ||
        output_start(&out, INITIAL_SIZE, -1) < 0) {
        PyBuffer_Release(&data);
        return NULL;
    }
    stream_init(&z);
    err = deflateInit2(&z, level, DEFLATED, wbits, MEM_LEVEL, Z_DEFAULT_STRATEGY);
    if (err != Z_OK) {
        if (err == Z_MEM_ERROR) PyErr_SetString(PyExc_MemoryError, "Out of memory while compressing data");
        else if (err == Z_STREAM_ERROR) PyErr_SetString(state->error, "Bad compression level");
        else zlib_error(state, &z, err, "while compressing data");
        goto error;
    }
    Py_ssize_t left = data.len;
    z.next_in = data.buf;
    do {
        offer_input(&z, &left);
        do {
            err = step(&out, &z, deflate, left ? Z_NO_FLUSH : Z_FINISH);
            if (err == Z_STREAM_ERROR) zlib_error(state, &z, err, "while compressing data");
            if (err == Z_STREAM_ERROR || err == RAISED) {
                deflateEnd(&z);
                goto error;
            }
        } while (z.avail_out == 0);
    } while (left);
    err = deflateEnd(&z);
    if (err != Z_OK) {
        zlib_error(state, &z, err, "while finishing compression");
        goto error;
    }
    PyBuffer_Release(&data);
    return output_finish(&out);
error:
    output_drop(&out);
    PyBuffer_Release(&data);
    return NULL;
}

BUILTIN(zlib, decompress, KEYWORDS, "($module, data, /, wbits=MAX_WBITS, bufsize=DEF_BUF_SIZE)",
    "The data decompressed.\n\n  wbits\n    the window size and the container format\n  bufsize\n    how much memory to take for the output at first")
{
    ZlibState *state = state_of_module(self);
    Py_buffer data;
    int wbits, err;
    Py_ssize_t bufsize;
    z_stream z;
    Output out;
    if (PyObject_GetBuffer(arg[0], &data, PyBUF_SIMPLE) < 0) return NULL;
    if (int_argument(arg[1], MAX_WBITS, &wbits) < 0 || size_argument(arg[2], INITIAL_SIZE, &bufsize) < 0) goto no_output;
    if (bufsize < 0) {
        PyErr_SetString(PyExc_ValueError, "bufsize must be non-negative");
        goto no_output;
    }
    if (output_start(&out, bufsize, -1) < 0) goto no_output;
    stream_init(&z);
    err = inflateInit2(&z, wbits);
    if (err != Z_OK) {
        if (err == Z_MEM_ERROR) PyErr_SetString(PyExc_MemoryError, "Out of memory while decompressing data");
        else zlib_error(state, &z, err, "while preparing to decompress data");
        goto error;
    }
    Py_ssize_t left = data.len;
    z.next_in = data.buf;
    do {
        offer_input(&z, &left);
        do {
            err = step(&out, &z, inflate, left ? Z_SYNC_FLUSH : Z_FINISH);
            if (err != Z_OK && err != Z_BUF_ERROR && err != Z_STREAM_END) goto failed;
        } while (z.avail_out == 0 && err != Z_STREAM_END);
    } while (err != Z_STREAM_END && left);
    if (err != Z_STREAM_END) goto failed;
    err = inflateEnd(&z);
    if (err != Z_OK) {
        zlib_error(state, &z, err, "while finishing decompression");
        goto error;
    }
    PyBuffer_Release(&data);
    return output_finish(&out);
failed:
    if (err == Z_MEM_ERROR) PyErr_SetString(PyExc_MemoryError, "Out of memory while decompressing data");
    else if (err != RAISED) zlib_error(state, &z, err, "while decompressing data");
    inflateEnd(&z);
error:
    output_drop(&out);
no_output:
    PyBuffer_Release(&data);
    return NULL;
}

/* ---- stream objects ----------------------------------------------------------------------------------------------------------------------------- */

static Stream *new_stream(PyTypeObject *type)
{
    Stream *s = PyObject_New(Stream, type);
    if (!s) return NULL;
    s->eof = 0;
    s->ready = false;
    s->zdict = NULL;
    s->unused_data = PyBytes_FromStringAndSize("", 0);
    s->unconsumed_tail = PyBytes_FromStringAndSize("", 0);
    s->lock = PyThread_allocate_lock();
    stream_init(&s->z);
    if (s->unused_data && s->unconsumed_tail && s->lock) return s;
    if (!s->lock) PyErr_SetString(PyExc_MemoryError, "Unable to allocate lock");
    Py_DECREF(s);
    return NULL;
}

static void stream_dealloc(PyObject *o, int (*end)(z_stream *))
{
    Stream *s = STREAM(o);
    PyTypeObject *type = Py_TYPE(o);
    if (s->ready) end(&s->z);
    if (s->lock) PyThread_free_lock(s->lock);
    Py_XDECREF(s->unused_data);
    Py_XDECREF(s->unconsumed_tail);
    Py_XDECREF(s->zdict);
    PyObject_Free(o);
    Py_DECREF(type);
}

static void Compress_dealloc(PyObject *o) { stream_dealloc(o, deflateEnd); }
static void Decompress_dealloc(PyObject *o) { stream_dealloc(o, inflateEnd); }

BUILTIN(zlib, compressobj, KEYWORDS,
    "($module, /, level=Z_DEFAULT_COMPRESSION, method=DEFLATED,\n            wbits=MAX_WBITS, memLevel=DEF_MEM_LEVEL,\n"
    "            strategy=Z_DEFAULT_STRATEGY, zdict=None)",
    "An object that compresses data piece by piece.\n\n  level\n    0 to 9, or -1 for the default\n  method\n    DEFLATED\n  wbits\n"
    "    the window size and the container format\n  memLevel\n    1 (little memory) to 9 (fast)\n  strategy\n    one of Z_DEFAULT_STRATEGY, Z_FILTERED, "
    "Z_HUFFMAN_ONLY ...\n  zdict\n    bytes that are likely to occur in the data")
{
    ZlibState *state = state_of_module(self);
    int level, method, wbits, memory, strategy;
    if (int_argument(arg[0], Z_DEFAULT_COMPRESSION, &level) < 0 || int_argument(arg[1], DEFLATED, &method) < 0 ||
        int_argument(arg[2], MAX_WBITS, &wbits) < 0 || int_argument(arg[3], MEM_LEVEL, &memory) < 0 ||
        int_argument(arg[4], Z_DEFAULT_STRATEGY, &strategy) < 0)
        return NULL;
    Py_buffer zdict = { .obj = NULL, .buf = NULL };
    if (arg[5] && arg[5] != Py_None && PyObject_GetBuffer(arg[5], &zdict, PyBUF_SIMPLE) < 0) return NULL;
    Stream *s = NULL;
    if (zdict.buf && (size_t)zdict.len > UINT_MAX) {
        PyErr_SetString(PyExc_OverflowError, "zdict length does not fit in an unsigned int");
        goto error;
    }
    if (!(s = new_stream(state->compress_type))) goto error;
    int err = deflateInit2(&s->z, level, method, wbits, memory, strategy);
    if (err != Z_OK) {
        if (err == Z_MEM_ERROR) PyErr_SetString(PyExc_MemoryError, "Can't allocate memory for compression object");
        else if (err == Z_STREAM_ERROR) PyErr_SetString(PyExc_ValueError, "Invalid initialization option");
        else zlib_error(state, &s->z, err, "while creating compression object");
        goto error;
    }
    s->ready = true;
    if (zdict.buf && (err = deflateSetDictionary(&s->z, zdict.buf, (uInt)zdict.len)) != Z_OK) {
        PyErr_SetString(PyExc_ValueError, err == Z_STREAM_ERROR ? "Invalid dictionary" : "deflateSetDictionary()");
        goto error;
    }
    if (zdict.obj) PyBuffer_Release(&zdict);
    return OBJECT(s);
error:
    if (zdict.obj) PyBuffer_Release(&zdict);
    Py_XDECREF(s);
    return NULL;
}

/* 0, or -1 with an exception */
static int inflate_set_dictionary(ZlibState *state, z_stream *z, PyObject *zdict)
{
    Py_buffer view;
    if (PyObject_GetBuffer(zdict, &view, PyBUF_SIMPLE) < 0) return -1;
    int err = Z_OK, status = 0;
    if ((size_t)view.len > UINT_MAX) {
        PyErr_SetString(PyExc_OverflowError, "zdict length does not fit in an unsigned int");
        status = -1;
    }
    else if ((err = inflateSetDictionary(z, view.buf, (uInt)view.len)) != Z_OK) {
        zlib_error(state, z, err, "while setting zdict");
        status = -1;
    }
    PyBuffer_Release(&view);
    return status;
}

/* A step of inflate; the dictionary is given when the stream asks for it. */
static int inflate_step(ZlibState *state, Output *out, z_stream *z, PyObject *zdict, int flush)
{
    int err = step(out, z, inflate, flush);
    if (err != Z_NEED_DICT || !zdict) return err;
    return inflate_set_dictionary(state, z, zdict) < 0 ? RAISED : step(out, z, inflate, flush);
}

BUILTIN(zlib, decompressobj, KEYWORDS, "($module, /, wbits=MAX_WBITS, zdict=b'')",
    "An object that decompresses data piece by piece.\n\n  wbits\n    the window size and the container format\n  zdict\n"
    "    the dictionary that the compressor used")
{
    ZlibState *state = state_of_module(self);
    int wbits;
    if (int_argument(arg[0], MAX_WBITS, &wbits) < 0) return NULL;
    PyObject *zdict = arg[1];
    if (zdict && !PyObject_CheckBuffer(zdict)) {
        PyErr_SetString(PyExc_TypeError, "zdict argument must support the buffer protocol");
        return NULL;
    }
    Stream *s = new_stream(state->decompress_type);
    if (!s) return NULL;
    s->zdict = Py_XNewRef(zdict);
    int err = inflateInit2(&s->z, wbits);
    if (err != Z_OK) {
        if (err == Z_STREAM_ERROR) PyErr_SetString(PyExc_ValueError, "Invalid initialization option");
        else if (err == Z_MEM_ERROR) PyErr_SetString(PyExc_MemoryError, "Can't allocate memory for decompression object");
        else zlib_error(state, &s->z, err, "while creating decompression object");
        Py_DECREF(s);
        return NULL;
    }
    s->ready = true;
    if (zdict && wbits < 0 && inflate_set_dictionary(state, &s->z, zdict) < 0) {     /* raw streams do not ask for it */
        Py_DECREF(s);
        return NULL;
    }
    return OBJECT(s);
}

/* ---- Compress -------------------------------------------------------------------------------------------------------------------------------------- */

BUILTIN_O(Compress, compress, "($self, data, /)", "What can be output of the data already; the rest waits for more, or flush().")
{
    ZlibState *state = state_of(self);
    Stream *s = STREAM(self);
    Py_buffer data;
    Output out = { 0 };
    PyObject *result = NULL;
    int err;
    if (PyObject_GetBuffer(arg, &data, PyBUF_SIMPLE) < 0) return NULL;
    stream_lock(s->lock);
    if (output_start(&out, INITIAL_SIZE, -1) < 0) goto done;
    Py_ssize_t left = data.len;
    s->z.next_in = data.buf;
    do {
        offer_input(&s->z, &left);
        do {
            if ((err = step(&out, &s->z, deflate, Z_NO_FLUSH)) == RAISED) goto done;
            if (err == Z_STREAM_ERROR) {
                zlib_error(state, &s->z, err, "while compressing data");
                goto done;
            }
        } while (s->z.avail_out == 0);
    } while (left);
    result = output_finish(&out);
    out.bytes = NULL;
done:
    output_drop(&out);
    PyThread_release_lock(s->lock);
    PyBuffer_Release(&data);
    return result;
}

BUILTIN(Compress, flush, POSITIONAL, "($self, mode=zlib.Z_FINISH, /)",
    "What is left of the compressed data. With Z_FINISH, the default, nothing can be compressed afterwards.")
{
    ZlibState *state = state_of(self);
    Stream *s = STREAM(self);
    Output out;
    PyObject *result = NULL;
    int mode, err;
    if (int_argument(arg[0], Z_FINISH, &mode) < 0) return NULL;
    if (mode == Z_NO_FLUSH) return PyBytes_FromStringAndSize(NULL, 0);
    stream_lock(s->lock);
    s->z.avail_in = 0;
    if (output_start(&out, INITIAL_SIZE, -1) < 0) goto done;
    do {
        if ((err = step(&out, &s->z, deflate, mode)) == RAISED) goto done;
        if (err == Z_STREAM_ERROR) {
            zlib_error(state, &s->z, err, "while flushing");
            goto done;
        }
    } while (s->z.avail_out == 0);
    if (err == Z_STREAM_END && mode == Z_FINISH) {
        err = deflateEnd(&s->z);
        if (err != Z_OK) {
            zlib_error(state, &s->z, err, "while finishing compression");
            goto done;
        }
        s->ready = false;
    }
    else if (err != Z_OK && err != Z_BUF_ERROR) {
        zlib_error(state, &s->z, err, "while flushing");
        goto done;
    }
    result = output_finish(&out);
    out.bytes = NULL;
done:
    output_drop(&out);
    PyThread_release_lock(s->lock);
    return result;
}

static PyObject *copy_stream(PyObject *self, PyTypeObject *type, int (*copy)(z_stream *, z_stream *), const char *no_memory, const char *what)
{
    Stream *s = STREAM(self), *other = new_stream(type);
    if (!other) return NULL;
    stream_lock(s->lock);
    int err = copy(&other->z, &s->z);
    if (err == Z_OK) {
        other->ready = true;
        Py_SETREF(other->unused_data, Py_NewRef(s->unused_data));
        Py_SETREF(other->unconsumed_tail, Py_NewRef(s->unconsumed_tail));
        Py_XSETREF(other->zdict, Py_XNewRef(s->zdict));
        other->eof = s->eof;
    }
    else {
        if (err == Z_STREAM_ERROR) PyErr_SetString(PyExc_ValueError, "Inconsistent stream state");
        else if (err == Z_MEM_ERROR) PyErr_SetString(PyExc_MemoryError, no_memory);
        else zlib_error(state_of(self), &s->z, err, what);
        Py_CLEAR(other);
    }
    PyThread_release_lock(s->lock);
    return OBJECT(other);
}

static PyObject *copy_compress(PyObject *self)
{
    return copy_stream(self, state_of(self)->compress_type, deflateCopy, "Can't allocate memory for compression object",
                       "while copying compression object");
}

static PyObject *copy_decompress(PyObject *self)
{
    return copy_stream(self, state_of(self)->decompress_type, inflateCopy, "Can't allocate memory for decompression object",
                       "while copying decompression object");
}

BUILTIN_NOARGS(Compress, copy, "($self, /)", "A copy of the compressor in its present state.") { return copy_compress(self); }
BUILTIN_NOARGS(Compress, __copy__, "($self, /)", "") { return copy_compress(self); }
BUILTIN_O(Compress, __deepcopy__, "($self, memo, /)", "") { (void)arg; return copy_compress(self); }

static PyMethodDef Compress_methods[] = {
    METHOD(Compress, compress), METHOD(Compress, flush), METHOD(Compress, copy), METHOD(Compress, __copy__), METHOD(Compress, __deepcopy__), {0},
};

/* ---- Decompress ------------------------------------------------------------------------------------------------------------------------------------ */

/* After inflate returned err: what of the data was not read goes to unused_data behind the end of the stream, else to
 * unconsumed_tail. */
static int save_rest(Stream *s, const Py_buffer *data, int err)
{
    if (err == Z_STREAM_END && s->z.avail_in > 0) {
        Py_ssize_t left = (Bytef *)data->buf + data->len - s->z.next_in, old = PyBytes_GET_SIZE(s->unused_data);
        if (left > PY_SSIZE_T_MAX - old) {
            PyErr_NoMemory();
            return -1;
        }
        PyObject *rest = PyBytes_FromStringAndSize((char *)s->z.next_in, left);
        if (!rest) return -1;
        if (old == 0) Py_SETREF(s->unused_data, rest);
        else {
            PyObject *joined = PySequence_Concat(s->unused_data, rest);
            Py_DECREF(rest);
            if (!joined) return -1;
            Py_SETREF(s->unused_data, joined);
        }
        s->z.avail_in = 0;
    }
    if (s->z.avail_in > 0 || PyBytes_GET_SIZE(s->unconsumed_tail)) {
        PyObject *tail = PyBytes_FromStringAndSize((char *)s->z.next_in, (Bytef *)data->buf + data->len - s->z.next_in);
        if (!tail) return -1;
        Py_SETREF(s->unconsumed_tail, tail);
    }
    return 0;
}

BUILTIN(Decompress, decompress, KEYWORDS, "($self, data, /, max_length=0)",
    "The decompressed data, no more than max_length bytes if that is not 0; input that was not needed is in unconsumed_tail.")
{
    ZlibState *state = state_of(self);
    Stream *s = STREAM(self);
    Py_buffer data;
    Output out = { 0 };
    PyObject *result = NULL;
    Py_ssize_t max;
    int err = Z_OK;
    if (PyObject_GetBuffer(arg[0], &data, PyBUF_SIMPLE) < 0) return NULL;
    if (size_argument(arg[1], 0, &max) < 0) {
        PyBuffer_Release(&data);
        return NULL;
    }
    if (max < 0) {
        PyErr_SetString(PyExc_ValueError, "max_length must be non-negative");
        PyBuffer_Release(&data);
        return NULL;
    }
    stream_lock(s->lock);
    if (output_start(&out, INITIAL_SIZE, max ? max : -1) < 0) goto done;
    Py_ssize_t left = data.len;
    s->z.next_in = data.buf;
    do {
        offer_input(&s->z, &left);
        do {
            int code = inflate_step(state, &out, &s->z, s->zdict, Z_SYNC_FLUSH);
            if (code == RAISED) goto done;
            if (code == FULL) goto enough;
            err = code;
            if (err != Z_OK && err != Z_BUF_ERROR && err != Z_STREAM_END) goto enough;
        } while (err != Z_STREAM_END && s->z.avail_out == 0);
    } while (err != Z_STREAM_END && left);
enough:
    if (save_rest(s, &data, err) < 0) goto done;
    if (err == Z_STREAM_END) s->eof = 1;
    else if (err != Z_OK && err != Z_BUF_ERROR) {
        zlib_error(state, &s->z, err, "while decompressing data");
        goto done;
    }
    result = output_finish(&out);
    out.bytes = NULL;
done:
    output_drop(&out);
    PyThread_release_lock(s->lock);
    PyBuffer_Release(&data);
    return result;
}

BUILTIN(Decompress, flush, POSITIONAL, "($self, length=zlib.DEF_BUF_SIZE, /)", "What is left of the decompressed data; length is how much memory to take at first.")
{
    ZlibState *state = state_of(self);
    Stream *s = STREAM(self);
    Py_buffer data;
    Output out = { 0 };
    PyObject *result = NULL;
    Py_ssize_t length;
    int err = Z_OK;
    if (size_argument(arg[0], INITIAL_SIZE, &length) < 0) return NULL;
    if (length <= 0) {
        PyErr_SetString(PyExc_ValueError, "length must be greater than zero");
        return NULL;
    }
    stream_lock(s->lock);
    if (PyObject_GetBuffer(s->unconsumed_tail, &data, PyBUF_SIMPLE) < 0) {
        PyThread_release_lock(s->lock);
        return NULL;
    }
    if (output_start(&out, length, -1) < 0) goto done;
    Py_ssize_t left = data.len;
    s->z.next_in = data.buf;
    do {
        offer_input(&s->z, &left);
        do {
            if ((err = inflate_step(state, &out, &s->z, s->zdict, left ? Z_SYNC_FLUSH : Z_FINISH)) == RAISED) goto done;
            if (err != Z_OK && err != Z_BUF_ERROR && err != Z_STREAM_END) goto enough;
        } while (err != Z_STREAM_END && s->z.avail_out == 0);
    } while (err != Z_STREAM_END && left);
enough:
    if (save_rest(s, &data, err) < 0) goto done;
    if (err == Z_STREAM_END) {
        s->eof = 1;
        s->ready = false;
        err = inflateEnd(&s->z);
        if (err != Z_OK) {
            zlib_error(state, &s->z, err, "while finishing decompression");
            goto done;
        }
    }
    result = output_finish(&out);
    out.bytes = NULL;
done:
    output_drop(&out);
    PyBuffer_Release(&data);
    PyThread_release_lock(s->lock);
    return result;
}

BUILTIN_NOARGS(Decompress, copy, "($self, /)", "A copy of the decompressor in its present state.") { return copy_decompress(self); }
BUILTIN_NOARGS(Decompress, __copy__, "($self, /)", "") { return copy_decompress(self); }
BUILTIN_O(Decompress, __deepcopy__, "($self, memo, /)", "") { (void)arg; return copy_decompress(self); }

static PyMethodDef Decompress_methods[] = {
    METHOD(Decompress, decompress), METHOD(Decompress, flush), METHOD(Decompress, copy), METHOD(Decompress, __copy__),
    METHOD(Decompress, __deepcopy__), {0},
};

static PyMemberDef Decompress_members[] = {
    { "unused_data", _Py_T_OBJECT, offsetof(Stream, unused_data), Py_READONLY },
    { "unconsumed_tail", _Py_T_OBJECT, offsetof(Stream, unconsumed_tail), Py_READONLY },
    { "eof", Py_T_BOOL, offsetof(Stream, eof), Py_READONLY },
    {0},
};

/* ---- _ZlibDecompressor ------------------------------------------------------------------------------------------------------------------------------ */

/* Keeps input that was not needed itself: zipfile and gzip read in blocks. */
typedef struct Decompressor {
    PyObject_HEAD
    z_stream z;
    bool ready;
    PyObject *zdict;
    Feed feed;
    PyThread_type_lock lock;
} Decompressor;

#define DECOMPRESSOR(o) ((Decompressor *)(o))

SIGNATURE(decompressor_signature, "_ZlibDecompressor", KEYWORDS, "(wbits=MAX_WBITS, zdict=b'')");

static PyObject *decompressor_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *arg[2], *module = PyType_GetModule(type);
    int wbits;
    if (!module || args_bind_tuple(&decompressor_signature, args, kwargs, arg) < 0) return NULL;
    if (int_argument(arg[0], MAX_WBITS, &wbits) < 0) return NULL;
    Decompressor *d = PyObject_New(Decompressor, type);
    if (!d) return NULL;
    stream_init(&d->z);
    d->ready = false;
    d->zdict = Py_XNewRef(arg[1]);
    d->lock = PyThread_allocate_lock();
    if (feed_init(&d->feed) < 0) goto error;
    if (!d->lock) {
        PyErr_SetString(PyExc_MemoryError, "Unable to allocate lock");
        goto error;
    }
    int err = inflateInit2(&d->z, wbits);
    if (err == Z_OK) {
        d->ready = true;
        if (d->zdict && wbits < 0 && inflate_set_dictionary(PyModule_GetState(module), &d->z, d->zdict) < 0) goto error;
        return OBJECT(d);
    }
    if (err == Z_STREAM_ERROR) PyErr_SetString(PyExc_ValueError, "Invalid initialization option");
    else if (err == Z_MEM_ERROR) PyErr_SetString(PyExc_MemoryError, "Can't allocate memory for decompression object");
    else zlib_error(PyModule_GetState(module), &d->z, err, "while creating decompression object");
error:
    Py_DECREF(d);
    return NULL;
}

static void decompressor_dealloc(PyObject *o)
{
    Decompressor *d = DECOMPRESSOR(o);
    if (d->ready) inflateEnd(&d->z);
    if (d->lock) PyThread_free_lock(d->lock);
    feed_fini(&d->feed);
    Py_XDECREF(d->zdict);
    free_instance(o);
}

/* Inflates the *n bytes at *data, leaving there what was not used; stops at max bytes of output. */
static PyObject *decompressor_run(ZlibState *state, Decompressor *d, const void **data, size_t *n, Py_ssize_t max)
{
    Output out;
    int err = Z_OK;
    Py_ssize_t left = (Py_ssize_t)*n;
    if (output_start(&out, INITIAL_SIZE, max) < 0) return NULL;
    d->z.next_in = (Bytef *)*data;
    do {
        offer_input(&d->z, &left);
        do {
            int code = inflate_step(state, &out, &d->z, d->zdict, Z_SYNC_FLUSH);
            if (code == RAISED) goto error;
            if (code == FULL) goto full;
            err = code;
            if (err != Z_OK && err != Z_BUF_ERROR && err != Z_STREAM_END) {
                zlib_error(state, &d->z, err, "while decompressing data");
                goto error;
            }
        } while (err != Z_STREAM_END && d->z.avail_out == 0);
    } while (err != Z_STREAM_END && left);
full:
    d->feed.eof = err == Z_STREAM_END;
    *data = d->z.next_in;
    *n = (size_t)left + d->z.avail_in;
    return output_finish(&out);
error:
    output_drop(&out);
    return NULL;
}

static PyObject *decompressor_feed(ZlibState *state, Decompressor *d, const void *data, size_t n, Py_ssize_t max)
{
    if (feed_offer(&d->feed, &data, &n) < 0) return NULL;
    PyObject *result = decompressor_run(state, d, &data, &n, max);
    d->z.next_in = NULL;                      /* the memory is not ours any more */
    d->z.avail_in = 0;
    /* a full result: the stream may hold more */
    if (result && feed_settle(&d->feed, data, n, max < 0 || PyBytes_GET_SIZE(result) < max) < 0) Py_CLEAR(result);
    return result;
}

BUILTIN(Decompressor, decompress, KEYWORDS, "($self, /, data, max_length=-1)",
    "The decompressed data, no more than max_length bytes unless that is negative. Input that was not needed is kept for\n"
    "the next call, which may then be given b''; needs_input says when more is needed.")
{
    Decompressor *d = DECOMPRESSOR(self);
    Py_buffer data;
    Py_ssize_t max;
    PyObject *result = NULL;
    if (PyObject_GetBuffer(arg[0], &data, PyBUF_SIMPLE) < 0) return NULL;
    if (size_argument(arg[1], -1, &max) == 0) {
        stream_lock(d->lock);
        if (d->feed.eof) PyErr_SetString(PyExc_EOFError, "End of stream already reached");
        else result = decompressor_feed(state_of(self), d, data.buf, (size_t)data.len, max < 0 ? -1 : max);
        PyThread_release_lock(d->lock);
    }
    PyBuffer_Release(&data);
    return result;
}

static PyMethodDef Decompressor_methods[] = { METHOD(Decompressor, decompress), {0} };

static PyMemberDef Decompressor_members[] = {
    FEED_MEMBERS(Decompressor, feed),
    {0},
};

/* ---- checksums ------------------------------------------------------------------------------------------------------------------------------------- */

static PyObject *checksum(PyObject *const *arg, unsigned start, uLong (*function)(uLong, const Bytef *, z_size_t))
{
    Py_buffer data;
    if (PyObject_GetBuffer(arg[0], &data, PyBUF_SIMPLE) < 0) return NULL;
    if (arg[1]) {
        unsigned long value = PyLong_AsUnsignedLongMask(arg[1]);
        if (value == (unsigned long)-1 && PyErr_Occurred()) {
            PyBuffer_Release(&data);
            return NULL;
        }
        start = (unsigned)value;
    }
    uLong sum;
    const Bytef *p = data.len ? data.buf : (const Bytef *)"";
    if (data.len > 5 * 1024) {
        Py_BEGIN_ALLOW_THREADS
        sum = function(start, p, (size_t)data.len);
        Py_END_ALLOW_THREADS
    }
    else sum = function(start, p, (size_t)data.len);
    PyBuffer_Release(&data);
    return PyLong_FromUnsignedLong(sum & 0xffffffff);
}

BUILTIN(zlib, adler32, POSITIONAL, "($module, data, value=1, /)", "Adler-32 checksum of data, going on from value.") { return checksum(arg, 1, adler32_z); }
BUILTIN(zlib, crc32, POSITIONAL, "($module, data, value=0, /)", "CRC-32 checksum of data, going on from value.") { return checksum(arg, 0, crc32_z); }

/* ---- module ------------------------------------------------------------------------------------------------------------------------------------------ */

static PyType_Slot Compress_slots[] = { { Py_tp_dealloc, Compress_dealloc }, { Py_tp_methods, Compress_methods }, {0} };
static PyType_Slot Decompress_slots[] = {
    { Py_tp_dealloc, Decompress_dealloc }, { Py_tp_methods, Decompress_methods }, { Py_tp_members, Decompress_members }, {0},
};
static PyType_Slot Decompressor_slots[] = {
    { Py_tp_dealloc, decompressor_dealloc }, { Py_tp_methods, Decompressor_methods }, { Py_tp_members, Decompressor_members },
    { Py_tp_new, decompressor_new },
    { Py_tp_doc, (void *)(uintptr_t)"_ZlibDecompressor(wbits=15, zdict=b'')\n--\n\nA decompressor that keeps input it did not need yet." }, {0},
};

static PyType_Spec Compress_spec = {
    "zlib.Compress", sizeof(Stream), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE, Compress_slots,
};
static PyType_Spec Decompress_spec = {
    "zlib.Decompress", sizeof(Stream), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE, Decompress_slots,
};
/* Instances have no dealloc hook for cycles: zdict is bytes in practice. */
static PyType_Spec Decompressor_spec = {
    "zlib._ZlibDecompressor", sizeof(Decompressor), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE, Decompressor_slots,
};

static PyMethodDef zlib_methods[] = {
    METHOD(zlib, adler32), METHOD(zlib, compress), METHOD(zlib, compressobj), METHOD(zlib, crc32), METHOD(zlib, decompress),
    METHOD(zlib, decompressobj), {0},
};

static int add_constants(PyObject *module)
{
    static const struct { const char *name; int value; } constants[] = {
        { "MAX_WBITS", MAX_WBITS }, { "DEFLATED", DEFLATED }, { "DEF_MEM_LEVEL", MEM_LEVEL }, { "DEF_BUF_SIZE", INITIAL_SIZE },
        { "Z_NO_COMPRESSION", Z_NO_COMPRESSION }, { "Z_BEST_SPEED", Z_BEST_SPEED }, { "Z_BEST_COMPRESSION", Z_BEST_COMPRESSION },
        { "Z_DEFAULT_COMPRESSION", Z_DEFAULT_COMPRESSION }, { "Z_FILTERED", Z_FILTERED }, { "Z_HUFFMAN_ONLY", Z_HUFFMAN_ONLY },
        { "Z_RLE", Z_RLE }, { "Z_FIXED", Z_FIXED }, { "Z_DEFAULT_STRATEGY", Z_DEFAULT_STRATEGY }, { "Z_NO_FLUSH", Z_NO_FLUSH },
        { "Z_PARTIAL_FLUSH", Z_PARTIAL_FLUSH }, { "Z_SYNC_FLUSH", Z_SYNC_FLUSH }, { "Z_FULL_FLUSH", Z_FULL_FLUSH },
        { "Z_FINISH", Z_FINISH }, { "Z_BLOCK", Z_BLOCK }, { "Z_TREES", Z_TREES },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(constants); i++)
        if (PyModule_AddIntConstant(module, constants[i].name, constants[i].value) < 0) return -1;
    if (PyModule_AddStringConstant(module, "ZLIB_VERSION", ZLIB_VERSION) < 0) return -1;
    if (PyModule_AddStringConstant(module, "ZLIB_RUNTIME_VERSION", zlibVersion()) < 0) return -1;
    return PyModule_AddStringConstant(module, "__version__", "1.0");
}

static int zlib_exec(PyObject *module)
{
    ZlibState *state = state_of_module(module);
    if (!(state->compress_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &Compress_spec, NULL))) return -1;
    if (!(state->decompress_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &Decompress_spec, NULL))) return -1;
    if (!(state->decompressor_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &Decompressor_spec, NULL))) return -1;
    if (PyModule_AddType(module, state->decompressor_type) < 0) return -1;
    if (!(state->error = PyErr_NewException("zlib.error", NULL, NULL))) return -1;
    if (PyModule_AddObjectRef(module, "error", state->error) < 0) return -1;
    return add_constants(module);
}

static int zlib_traverse(PyObject *module, visitproc visit, void *arg)
{
    ZlibState *state = state_of_module(module);
    Py_VISIT(state->compress_type);
    Py_VISIT(state->decompress_type);
    Py_VISIT(state->decompressor_type);
    Py_VISIT(state->error);
    return 0;
}

static int zlib_clear(PyObject *module)
{
    ZlibState *state = state_of_module(module);
    Py_CLEAR(state->compress_type);
    Py_CLEAR(state->decompress_type);
    Py_CLEAR(state->decompressor_type);
    Py_CLEAR(state->error);
    return 0;
}

static void zlib_module_free(void *module) { zlib_clear(module); }

static PyModuleDef_Slot zlib_slots[] = {
    { Py_mod_exec, zlib_exec },
    { Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED },
    { Py_mod_gil, Py_MOD_GIL_NOT_USED },
    {0},
};

static PyModuleDef zlib_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "zlib",
    .m_doc = "Compression and decompression in the formats of zlib, gzip and raw deflate.",
    .m_size = sizeof(ZlibState),
    .m_methods = zlib_methods,
    .m_slots = zlib_slots,
    .m_traverse = zlib_traverse,
    .m_clear = zlib_clear,
    .m_free = zlib_module_free,
};

PyMODINIT_FUNC PyInit_zlib(void) { return PyModuleDef_Init(&zlib_module); }
