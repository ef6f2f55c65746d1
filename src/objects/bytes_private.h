/* What the files of bytes and bytearray share. */
#ifndef TAIPAN_OBJECTS_BYTES_PRIVATE_H
#define TAIPAN_OBJECTS_BYTES_PRIVATE_H

#include "objects/bytes.h"
#include "objects/text.h"
#include "objects/unicode_private.h"

/* A run of bytes of some object. view_release when done; while it is held, a bytearray cannot be resized. */
typedef struct View {
    const char *data;
    Py_ssize_t length;
    Py_buffer buffer;                                       /* obj NULL: nothing to release */
} View;

/* Any bytes-like object; -1 with TypeError "a bytes-like object is required, not 'str'". */
int view_get(View *v, PyObject *o);
static inline void view_release(View *v) { if (v->buffer.obj) PyBuffer_Release(&v->buffer); }

/* A byte given as an integer: 0, or -1 with "byte must be in range(0, 256)" or TypeError. */
int byte_value(PyObject *o, unsigned char *value);

/* bytes: as an argument of find and the like, a bytes-like object or an integer. */
int view_get_or_byte(View *v, PyObject *o, char *byte);

/* The pairs of hexadecimal digits in a str as a new bytes object. */
PyObject *bytes_from_hex(PyObject *string);

/* o.__bytes__() when its type has that: new bytes. NULL without exception when it has not. */
PyObject *bytes_special(PyObject *o);

/* The elements of any iterable of integers: message names the range error's subject ("bytes" or "byte"). */
PyObject *bytes_from_iterable(PyObject *o);

PyObject *bytes_join(const char *sep, Py_ssize_t sep_length, PyObject *iterable, bool as_bytearray);

#endif
