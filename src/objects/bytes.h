/* bytes: what the rest of Taipan may call beyond Python.h. */
#ifndef TAIPAN_OBJECTS_BYTES_H
#define TAIPAN_OBJECTS_BYTES_H

#include "taipan.h"

/* Uninitialised but terminated, exactly size bytes; NULL with MemoryError. size > 1: the others are shared. */
PyObject *bytes_alloc(Py_ssize_t size);

/* Builds a bytes object in place; the buffer grows by a quarter. Begin with bytes_builder_init, end with finish or clear. */
typedef struct BytesBuilder {
    PyObject *bytes;
    char *data;
    Py_ssize_t used, size;
} BytesBuilder;

int bytes_builder_init(BytesBuilder *b, Py_ssize_t estimate);      /* 0, or -1 with MemoryError */
char *bytes_builder_grow(BytesBuilder *b, Py_ssize_t n);
PyObject *bytes_builder_finish(BytesBuilder *b);
static inline void bytes_builder_clear(BytesBuilder *b) { Py_CLEAR(b->bytes); }

/* Where n more bytes go; NULL with MemoryError. The caller writes them and adds to used. */
static inline char *bytes_builder_room(BytesBuilder *b, Py_ssize_t n)
{
    return LIKELY(n <= b->size - b->used) ? b->data + b->used : bytes_builder_grow(b, n);
}

static inline int bytes_builder_write(BytesBuilder *b, const void *p, Py_ssize_t n)
{
    char *room = bytes_builder_room(b, n);
    if (UNLIKELY(!room)) return -1;
    memcpy(room, p, (size_t)n);
    b->used += n;
    return 0;
}

static inline int bytes_builder_byte(BytesBuilder *b, char c) { return bytes_builder_write(b, &c, 1); }

static inline int bytes_builder_fill(BytesBuilder *b, char c, Py_ssize_t n)
{
    char *room = bytes_builder_room(b, n);
    if (UNLIKELY(!room)) return -1;
    memset(room, c, (size_t)n);
    b->used += n;
    return 0;
}

/* Hexadecimal text, as bytes.hex(sep, bytes_per_sep) gives it: str, or bytes. sep NULL: none. */
PyObject *bytes_hex(const char *p, Py_ssize_t n, PyObject *sep, int bytes_per_sep, bool as_bytes);

/* format % args for bytes; as_bytearray chooses the type of the result. */
PyObject *bytes_percent(const char *format, Py_ssize_t n, PyObject *args, bool as_bytearray);

/* repr text of n bytes: b'...' */
PyObject *bytes_repr_of(const char *p, Py_ssize_t n);

#endif
