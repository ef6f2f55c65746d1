/* The codecs that are built in, with all their parameters: what _codecs needs beyond Python.h. Results are new, NULL with an
 * exception; errors NULL is "strict". */
#ifndef TAIPAN_OBJECTS_UNICODE_CODECS_H
#define TAIPAN_OBJECTS_UNICODE_CODECS_H

#include "taipan.h"

PyAPI_FUNC(PyObject *) _PyUnicode_AsUTF8String(PyObject *s, const char *errors);
PyAPI_FUNC(PyObject *) _PyUnicode_EncodeUTF16(PyObject *s, const char *errors, int byteorder);   /* -1 little, 1 big, 0 native with BOM */
PyAPI_FUNC(PyObject *) _PyUnicode_EncodeUTF32(PyObject *s, const char *errors, int byteorder);
PyObject *latin1_encode(PyObject *s, const char *errors);
PyObject *ascii_encode(PyObject *s, const char *errors);
PyObject *utf7_encode(PyObject *s, const char *errors);
PyObject *charmap_encode(PyObject *s, PyObject *mapping, const char *errors);
/* *consumed as in PyUnicode_DecodeUTF8Stateful, NULL at the end of input. unicode_escape_decode_warn warns of the first unknown
 * escape (DeprecationWarning). */
PyObject *unicode_escape_decode_warn(const char *p, Py_ssize_t n, const char *errors, Py_ssize_t *consumed);
PyObject *raw_unicode_escape_decode(const char *p, Py_ssize_t n, const char *errors, Py_ssize_t *consumed);

#endif
