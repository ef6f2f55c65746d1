/* What _dbm and _gdbm share: how arguments become the library's data. Included behind the library's header, which defines datum. */
#ifndef TAIPAN_SHARED_DATABASES_H
#define TAIPAN_SHARED_DATABASES_H

#include "capi/args.h"

#include <limits.h>
#include <string.h>

/* The buffer of a Python class may run anything, and need not last longer than the conversion. */
static bool is_fleeting(PyObject *o)
{
    return PyType_HasFeature(Py_TYPE(o), Py_TPFLAGS_HEAPTYPE) && !PyUnicode_Check(o) && !PyBytes_Check(o) && PyObject_CheckBuffer(o);
}

/* Text as UTF-8, or bytes. complaint, unless NULL, replaces the exception. */
static int read_datum(PyObject *o, datum *d, const char *complaint)
{
    const char *text;
    Py_ssize_t size;
    if (is_fleeting(o)) {
        PyErr_Format(PyExc_TypeError, "argument must be read-only bytes-like object, not %.50s", Py_TYPE(o)->tp_name);
        return -1;
    }
    if (!PyArg_Parse(o, "s#", &text, &size)) {
        if (complaint) PyErr_SetString(PyExc_TypeError, complaint);
        return -1;
    }
    if (size > INT_MAX) {
        PyErr_SetString(PyExc_OverflowError, "size does not fit in an int");
        return -1;
    }
    *d = (datum){ .dptr = (char *)text, .dsize = (int)size };
    return 0;
}

static int refuse_arguments(const char *name, Py_ssize_t nargs, PyObject *kwnames)
{
    if (!nargs && (!kwnames || !PyTuple_GET_SIZE(kwnames))) return 0;
    PyErr_Format(PyExc_TypeError, "%s() takes no arguments", name);
    return -1;
}

/* open()'s second argument; NULL with an exception. */
static const char *flags_of(PyObject *given)
{
    Py_ssize_t size;
    if (!given) return "r";
    if (!PyUnicode_Check(given)) {
        PyErr_Format(PyExc_TypeError, "open() argument 2 must be str, not %.50s", given == Py_None ? "None" : Py_TYPE(given)->tp_name);
        return NULL;
    }
    const char *flags = PyUnicode_AsUTF8AndSize(given, &size);
    if (!flags || strlen(flags) == (size_t)size) return flags;
    PyErr_SetString(PyExc_ValueError, "embedded null character");
    return NULL;
}

#endif
