/* What every hash module needs of Python's side. Stands on the public C API alone, for _hashlib, which is a shared object. */
#ifndef TAIPAN_MODULES_HASH_SUPPORT_H
#define TAIPAN_MODULES_HASH_SUPPORT_H

#include "modules/support.h"

enum { RELEASE_GIL_FROM = 2048 };             /* bytes worth another thread's while */

/* The buffer of something to be hashed. */
static inline int hash_get_buffer(PyObject *o, Py_buffer *view)
{
    if (PyUnicode_Check(o)) PyErr_SetString(PyExc_TypeError, "Strings must be encoded before hashing");
    else if (!PyObject_CheckBuffer(o)) PyErr_SetString(PyExc_TypeError, "object supporting the buffer API required");
    else if (PyObject_GetBuffer(o, view, PyBUF_SIMPLE) == 0) {
        if (view->ndim <= 1) return 0;
        PyBuffer_Release(view);
        PyErr_SetString(PyExc_BufferError, "Buffer must be single dimension");
    }
    return -1;
}

static inline PyObject *hash_hex_text(const unsigned char *bytes, Py_ssize_t n)
{
    PyObject *text = n > PY_SSIZE_T_MAX / 2 ? PyErr_NoMemory() : PyUnicode_New(n * 2, 127);
    for (Py_ssize_t i = 0; text && i < n; i++) {
        PyUnicode_1BYTE_DATA(text)[2 * i] = (Py_UCS1)"0123456789abcdef"[bytes[i] >> 4];
        PyUnicode_1BYTE_DATA(text)[2 * i + 1] = (Py_UCS1)"0123456789abcdef"[bytes[i] & 15];
    }
    return text;
}

#endif
