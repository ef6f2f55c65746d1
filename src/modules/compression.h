/* What the modules over compression libraries (zlib, _bz2, _lzma) share: the lock of an object, output that grows, and the
 * input that a decompressor keeps. Stands on the public C API alone, for those that are shared objects.
 *
 * A library's stream points into the bytes of an Output; after each step the module says how far it came (output_took). */
#ifndef TAIPAN_MODULES_COMPRESSION_H
#define TAIPAN_MODULES_COMPRESSION_H

#include "modules/support.h"

#include <limits.h>
#include <string.h>

/* Held while the library works in an object's stream without the GIL. */
static inline void stream_lock(PyThread_type_lock lock)
{
    if (PyThread_acquire_lock(lock, NOWAIT_LOCK)) return;
    Py_BEGIN_ALLOW_THREADS
    PyThread_acquire_lock(lock, WAIT_LOCK);
    Py_END_ALLOW_THREADS
}

/* ---- output that grows ---- */

enum { OUTPUT_FIRST = 32 * 1024, OUTPUT_GROWTH = 64 * 1024 * 1024 };

typedef struct Output { PyObject *bytes; Py_ssize_t used, limit; } Output;       /* limit < 0: none */

static inline int output_start(Output *out, Py_ssize_t size, Py_ssize_t limit)
{
    if (limit >= 0 && size > limit) size = limit;
    *out = (Output){ PyBytes_FromStringAndSize(NULL, size), 0, limit };
    return out->bytes ? 0 : -1;
}

/* Room for more (no more than an unsigned int counts), which begins at output_next(). 0: the limit is reached; -1: MemoryError. */
static inline Py_ssize_t output_room(Output *out)
{
    Py_ssize_t size = PyBytes_GET_SIZE(out->bytes);
    if (out->used == size) {
        Py_ssize_t more = size < OUTPUT_FIRST ? OUTPUT_FIRST : size < OUTPUT_GROWTH ? size : OUTPUT_GROWTH;
        if (out->limit >= 0 && more > out->limit - size) more = out->limit - size;
        if (!more) return 0;
        if (size > PY_SSIZE_T_MAX - more) {
            PyErr_NoMemory();
            return -1;
        }
        if (_PyBytes_Resize(&out->bytes, size + more) < 0) return -1;
        size += more;
    }
    return size - out->used > (Py_ssize_t)UINT_MAX ? (Py_ssize_t)UINT_MAX : size - out->used;
}

static inline void *output_next(const Output *out) { return PyBytes_AS_STRING(out->bytes) + out->used; }
static inline void output_took(Output *out, const void *next) { out->used = (const char *)next - PyBytes_AS_STRING(out->bytes); }

/* The bytes, NEW; NULL with MemoryError. */
static inline PyObject *output_finish(Output *out)
{
    _PyBytes_Resize(&out->bytes, out->used);
    return out->bytes;
}

static inline void output_drop(Output *out) { Py_CLEAR(out->bytes); }

/* ---- what a decompressor was given ---- */

typedef struct Feed {
    char *bytes;
    size_t at, length, room;                  /* bytes[at .. length) was given and not used yet */
    char eof, needs_input;                    /* seen from Python, and so is unused_data: bytes */
    PyObject *unused_data;
} Feed;

static inline int feed_init(Feed *f)
{
    *f = (Feed){ .needs_input = 1, .unused_data = PyBytes_FromStringAndSize(NULL, 0) };
    return f->unused_data ? 0 : -1;
}

static inline void feed_fini(Feed *f)
{
    PyMem_Free(f->bytes);
    Py_XDECREF(f->unused_data);
}

static inline int feed_keep(Feed *f, const void *data, size_t n)
{
    if (n > f->room - f->length) {
        if (f->at) memmove(f->bytes, f->bytes + f->at, f->length - f->at);
        f->length -= f->at;
        f->at = 0;
        if (n > f->room - f->length) {
            char *larger = PyMem_Realloc(f->bytes, f->length + n);
            if (!larger) {
                PyErr_NoMemory();
                return -1;
            }
            f->bytes = larger;
            f->room = f->length + n;
        }
    }
    if (n) memcpy(f->bytes + f->length, data, n);
    f->length += n;
    return 0;
}

static inline void feed_forget(Feed *f) { f->at = f->length = 0; }

/* What there is to decompress: the data itself, or what was kept with the data behind it. */
static inline int feed_offer(Feed *f, const void **data, size_t *n)
{
    if (f->at == f->length) return 0;
    if (feed_keep(f, *data, *n) < 0) return -1;
    *data = f->bytes + f->at;
    *n = f->length - f->at;
    return 0;
}

/* After a step: n bytes of what was offered are not used, from rest on. drained: the library has no output in store. */
static inline int feed_settle(Feed *f, const void *rest, size_t n, bool drained)
{
    f->needs_input = !f->eof && !n && drained;
    if (n && !f->eof) {
        if (f->at == f->length) return feed_keep(f, rest, n);
        f->at = f->length - n;
        return 0;
    }
    feed_forget(f);
    if (!n) return 0;
    PyObject *unused = PyBytes_FromStringAndSize(rest, (Py_ssize_t)n);
    if (!unused) return -1;
    SET_FIELD(f->unused_data, unused);
    return 0;
}

#define FEED_MEMBERS(Type, field)                                                                                            \
    { "eof", Py_T_BOOL, offsetof(Type, field.eof), Py_READONLY, "True once the end of the stream was seen." },               \
    { "unused_data", Py_T_OBJECT_EX, offsetof(Type, field.unused_data), Py_READONLY, "Data found behind the end of the stream." }, \
    { "needs_input", Py_T_BOOL, offsetof(Type, field.needs_input), Py_READONLY, "True if more input is needed before more output can come." }

#endif
