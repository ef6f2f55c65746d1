/* The marshal format: what its writer, its reader and the marshal module share.
 *
 * One byte of type, then the value. From version 3 on an object that others refer to is marked REF where it first stands, and
 * repeated as 'r' with its number. */
#ifndef TAIPAN_COMPILE_MARSHAL_PRIVATE_H
#define TAIPAN_COMPILE_MARSHAL_PRIVATE_H

#include "taipan.h"

#include <stdio.h>

enum {
    M_NULL = '0', M_NONE = 'N', M_FALSE = 'F', M_TRUE = 'T', M_STOP_ITERATION = 'S', M_ELLIPSIS = '.', M_INT = 'i', M_INT64 = 'I',
    M_FLOAT = 'f', M_BINARY_FLOAT = 'g', M_COMPLEX = 'x', M_BINARY_COMPLEX = 'y', M_LONG = 'l', M_STRING = 's', M_INTERNED = 't',
    M_REF = 'r', M_TUPLE = '(', M_SMALL_TUPLE = ')', M_LIST = '[', M_DICT = '{', M_CODE = 'c', M_UNICODE = 'u', M_UNKNOWN = '?',
    M_SET = '<', M_FROZENSET = '>', M_ASCII = 'a', M_ASCII_INTERNED = 'A', M_SHORT_ASCII = 'z', M_SHORT_ASCII_INTERNED = 'Z',
    FLAG_REF = 0x80,
    DEPTH_MAX = 2000,
};

/* New bytes, or NULL with ValueError (unmarshallable, nested too deeply) or MemoryError. */
PyObject *marshal_dump(PyObject *value, int version, int allow_code);
/* New object; EOFError, ValueError or TypeError for bad data. *end, when not NULL, is where reading stopped. */
PyObject *marshal_load(const char *data, Py_ssize_t size, int allow_code, const char **end);
/* Reads one object with the readinto() method of a Python file. */
PyObject *marshal_load_file(PyObject *file, int allow_code);

#endif
