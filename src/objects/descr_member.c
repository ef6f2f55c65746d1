/* PyMember_GetOne and PyMember_SetOne: fields of C structs as attributes. */
#include "objects/type.h"

#include <structmember.h>

PyObject *PyMember_GetOne(const char *base, PyMemberDef *m)
{
    if (m->flags & Py_RELATIVE_OFFSET) {
        PyErr_SetString(PyExc_SystemError, "PyMember_GetOne used with Py_RELATIVE_OFFSET");
        return NULL;
    }
    const char *at = base + m->offset;
#define FIELD(type) (*(type *)(uintptr_t)at)
    switch (m->type) {
    case Py_T_OBJECT_EX: {
        PyObject *value = FIELD(PyObject *);
        if (LIKELY(value != NULL)) return Py_NewRef(value);
        PyObject *self = (PyObject *)base;
        PyObject *type_name = PyType_GetFullyQualifiedName(Py_TYPE(self));
        if (type_name) PyErr_Format(PyExc_AttributeError, "'%U' object has no attribute '%s'", type_name, m->name);
        Py_XDECREF(type_name);
        return NULL;
    }
    case _Py_T_OBJECT: return Py_NewRef(FIELD(PyObject *) ? FIELD(PyObject *) : Py_None);
    case Py_T_BOOL: return PyBool_FromLong(FIELD(char));
    case Py_T_BYTE: return PyLong_FromLong(FIELD(signed char));
    case Py_T_UBYTE: return PyLong_FromUnsignedLong(FIELD(unsigned char));
    case Py_T_SHORT: return PyLong_FromLong(FIELD(short));
    case Py_T_USHORT: return PyLong_FromUnsignedLong(FIELD(unsigned short));
    case Py_T_INT: return PyLong_FromLong(FIELD(int));
    case Py_T_UINT: return PyLong_FromUnsignedLong(FIELD(unsigned int));
    case Py_T_LONG: return PyLong_FromLong(FIELD(long));
    case Py_T_ULONG: return PyLong_FromUnsignedLong(FIELD(unsigned long));
    case Py_T_LONGLONG: return PyLong_FromLongLong(FIELD(long long));
    case Py_T_ULONGLONG: return PyLong_FromUnsignedLongLong(FIELD(unsigned long long));
    case Py_T_PYSSIZET: return PyLong_FromSsize_t(FIELD(Py_ssize_t));
    case Py_T_FLOAT: return PyFloat_FromDouble(FIELD(float));
    case Py_T_DOUBLE: return PyFloat_FromDouble(FIELD(double));
    case Py_T_STRING: return FIELD(char *) ? PyUnicode_FromString(FIELD(char *)) : Py_NewRef(Py_None);
    case Py_T_STRING_INPLACE: return PyUnicode_FromString(at);
    case Py_T_CHAR: {
        char text[] = { FIELD(char), 0 };
        return PyUnicode_FromString(text);
    }
    case _Py_T_NONE: return Py_NewRef(Py_None);
    default:
        PyErr_Format(PyExc_SystemError, "bad memberdescr type for %s", m->name);
        return NULL;
    }
#undef FIELD
}

static int warn_truncated(const char *what) { return PyErr_WarnFormat(PyExc_RuntimeWarning, 1, "Truncation of value to %s", what); }

static int store_signed(char *at, PyMemberDef *m, PyObject *value)
{
    long v = PyLong_AsLong(value);
    if (v == -1 && PyErr_Occurred()) return -1;
    switch (m->type) {
    case Py_T_BYTE:
        *(signed char *)at = (signed char)v;
        return v < SCHAR_MIN || v > SCHAR_MAX ? warn_truncated("char") : 0;
    case Py_T_UBYTE:
        *(unsigned char *)at = (unsigned char)v;
        return v < 0 || v > UCHAR_MAX ? warn_truncated("unsigned char") : 0;
    case Py_T_SHORT:
        *(short *)(void *)at = (short)v;
        return v < SHRT_MIN || v > SHRT_MAX ? warn_truncated("short") : 0;
    case Py_T_USHORT:
        *(unsigned short *)(void *)at = (unsigned short)v;
        return v < 0 || v > USHRT_MAX ? warn_truncated("unsigned short") : 0;
    case Py_T_INT:
        *(int *)(void *)at = (int)v;
        return v < INT_MIN || v > INT_MAX ? warn_truncated("int") : 0;
    default:
        *(long *)(void *)at = v;
        return 0;
    }
}

/* Negative numbers are taken, with a warning, as they always were. Up to 8 bytes wide. */
static int store_unsigned(char *at, PyMemberDef *m, PyObject *value)
{
    PyObject *index = PyNumber_Index(value);
    if (!index) return -1;
    int overflow, status = 0;
    long long s = PyLong_AsLongLongAndOverflow(index, &overflow);
    unsigned long long v = (unsigned long long)s;
    bool negative = overflow < 0 || (!overflow && s < 0);
    if (overflow > 0) v = PyLong_AsUnsignedLongLong(index);
    else if (overflow < 0) PyErr_SetString(PyExc_OverflowError, "Python int too large to convert to C long");
    Py_DECREF(index);
    if (PyErr_Occurred()) return -1;
    switch (m->type) {
    case Py_T_UINT:
        *(unsigned int *)(void *)at = (unsigned int)v;
        if (negative) status = PyErr_WarnEx(PyExc_RuntimeWarning, "Writing negative value into unsigned field", 1);
        else if (v > UINT_MAX) status = warn_truncated("unsigned int");
        break;
    case Py_T_ULONG:
        *(unsigned long *)(void *)at = (unsigned long)v;
        if (negative) status = PyErr_WarnEx(PyExc_RuntimeWarning, "Writing negative value into unsigned field", 1);
        break;
    default:
        *(unsigned long long *)(void *)at = v;
        if (negative) status = PyErr_WarnEx(PyExc_RuntimeWarning, "Writing negative value into unsigned field", 1);
    }
    return status;
}

static int store_other(char *at, PyMemberDef *m, PyObject *value)
{
    switch (m->type) {
    case Py_T_BOOL:
        if (!PyBool_Check(value)) {
            PyErr_SetString(PyExc_TypeError, "attribute value type must be bool");
            return -1;
        }
        *at = value == Py_True;
        return 0;
    case Py_T_LONGLONG: {
        long long v = PyLong_AsLongLong(value);
        if (v == -1 && PyErr_Occurred()) return -1;
        *(long long *)(void *)at = v;
        return 0;
    }
    case Py_T_PYSSIZET: {
        Py_ssize_t v = PyLong_AsSsize_t(value);
        if (v == -1 && PyErr_Occurred()) return -1;
        *(Py_ssize_t *)(void *)at = v;
        return 0;
    }
    case Py_T_FLOAT: case Py_T_DOUBLE: {
        double v = PyFloat_AsDouble(value);
        if (v == -1 && PyErr_Occurred()) return -1;
        if (m->type == Py_T_FLOAT) *(float *)(void *)at = (float)v;
        else *(double *)(void *)at = v;
        return 0;
    }
    case Py_T_CHAR: {
        Py_ssize_t n;
        const char *text = PyUnicode_AsUTF8AndSize(value, &n);
        if (!text || n != 1) {
            PyErr_BadArgument();
            return -1;
        }
        *at = text[0];
        return 0;
    }
    case Py_T_STRING: case Py_T_STRING_INPLACE:
        PyErr_SetString(PyExc_TypeError, "readonly attribute");
        return -1;
    default:
        PyErr_Format(PyExc_SystemError, "bad memberdescr type for %s", m->name);
        return -1;
    }
}

int PyMember_SetOne(char *base, PyMemberDef *m, PyObject *value)
{
    if (m->flags & Py_RELATIVE_OFFSET) {
        PyErr_SetString(PyExc_SystemError, "PyMember_SetOne used with Py_RELATIVE_OFFSET");
        return -1;
    }
    if (m->flags & Py_READONLY) {
        PyErr_SetString(PyExc_AttributeError, "readonly attribute");
        return -1;
    }
    char *at = base + m->offset;
    if (m->type == Py_T_OBJECT_EX || m->type == _Py_T_OBJECT) {
        PyObject **field = (PyObject **)(void *)at, *old = *field;
        if (!value && !old && m->type == Py_T_OBJECT_EX) {
            PyErr_SetString(PyExc_AttributeError, m->name);
            return -1;
        }
        *field = Py_XNewRef(value);
        Py_XDECREF(old);
        return 0;
    }
    if (!value) {
        PyErr_SetString(PyExc_TypeError, "can't delete numeric/char attribute");
        return -1;
    }
    switch (m->type) {
    case Py_T_BYTE: case Py_T_UBYTE: case Py_T_SHORT: case Py_T_USHORT: case Py_T_INT: case Py_T_LONG: return store_signed(at, m, value);
    case Py_T_UINT: case Py_T_ULONG: case Py_T_ULONGLONG: return store_unsigned(at, m, value);
    default: return store_other(at, m, value);
    }
}
