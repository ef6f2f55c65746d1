/* Names of CPython's library that no public header declares, but that compiled modules import: those about numbers. */
#include "objects/int_private.h"

#include "capi/abstract_private.h"

PyAPI_FUNC(PyObject *) _PyNumber_Index(PyObject *o);
PyObject *_PyNumber_Index(PyObject *o) { return abstract_index(o); }

PyAPI_FUNC(PyObject *) _PyLong_Add(PyLongObject *a, PyLongObject *b);
PyAPI_FUNC(PyObject *) _PyLong_Subtract(PyLongObject *a, PyLongObject *b);
PyAPI_FUNC(PyObject *) _PyLong_Multiply(PyLongObject *a, PyLongObject *b);
PyObject *_PyLong_Add(PyLongObject *a, PyLongObject *b) { return long_add(OBJECT(a), OBJECT(b)); }
PyObject *_PyLong_Subtract(PyLongObject *a, PyLongObject *b) { return long_sub(OBJECT(a), OBJECT(b)); }
PyObject *_PyLong_Multiply(PyLongObject *a, PyLongObject *b) { return long_mul(OBJECT(a), OBJECT(b)); }

PyAPI_FUNC(PyObject *) _PyLong_Lshift(PyObject *v, size_t bits);
PyAPI_FUNC(PyObject *) _PyLong_Rshift(PyObject *v, size_t bits);
PyObject *_PyLong_Lshift(PyObject *v, size_t bits) { return long_lshift_bits(v, bits / PyLong_SHIFT, (unsigned)(bits % PyLong_SHIFT)); }
PyObject *_PyLong_Rshift(PyObject *v, size_t bits) { return long_rshift_bits(v, bits / PyLong_SHIFT, (unsigned)(bits % PyLong_SHIFT)); }

PyAPI_FUNC(PyObject *) _PyLong_DivmodNear(PyObject *a, PyObject *b);
PyObject *_PyLong_DivmodNear(PyObject *a, PyObject *b) { return long_divmod_near(a, b); }

PyAPI_FUNC(PyObject *) _PyLong_Format(PyObject *v, int base);
PyObject *_PyLong_Format(PyObject *v, int base)
{
    if (!PyLong_Check(v)) {
        PyErr_BadInternalCall();
        return NULL;
    }
    return long_to_text(v, base, base == 2 || base == 8 || base == 16);
}

PyAPI_FUNC(double) _PyLong_Frexp(PyLongObject *v, Py_ssize_t *exponent);
double _PyLong_Frexp(PyLongObject *v, Py_ssize_t *exponent)
{
    int64_t e;
    double fraction = long_frexp(v, &e);
    *exponent = (Py_ssize_t)e;
    return fraction;
}

/* Value of each character as a digit, 37 for those that are none. */
#define LETTERS 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35
#define NONE8 37, 37, 37, 37, 37, 37, 37, 37
#define NONE32 NONE8, NONE8, NONE8, NONE8
PyAPI_DATA(unsigned char) _PyLong_DigitValue[256];
unsigned char _PyLong_DigitValue[256] = {
    NONE32, NONE8, NONE8, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 37, 37, 37, 37, 37, 37, 37, LETTERS, 37, 37, 37, 37, 37, 37, LETTERS,
    37, 37, 37, 37, 37, NONE32, NONE32, NONE32, NONE32,
};

/* "O&" converters: 1, or 0 with an exception. */
#define UNSIGNED_CONVERTER(name, type, as, text)                                                 \
    PyAPI_FUNC(int) name(PyObject *o, void *target);                                             \
    int name(PyObject *o, void *target)                                                          \
    {                                                                                            \
        if (PyLong_Check(o) && long_is_negative(LONG(o))) {                                      \
            PyErr_SetString(PyExc_ValueError, "value must be positive");                         \
            return 0;                                                                            \
        }                                                                                        \
        unsigned long long value = as(o);                                                        \
        if (value == (unsigned long long)-1 && PyErr_Occurred()) return 0;                       \
        if (value > (type)-1) {                                                                  \
            PyErr_SetString(PyExc_OverflowError, "Python int too large for C " text);            \
            return 0;                                                                            \
        }                                                                                        \
        *(type *)target = (type)value;                                                           \
        return 1;                                                                                \
    }
UNSIGNED_CONVERTER(_PyLong_UnsignedShort_Converter, unsigned short, PyLong_AsUnsignedLong, "unsigned short")
UNSIGNED_CONVERTER(_PyLong_UnsignedInt_Converter, unsigned int, PyLong_AsUnsignedLong, "unsigned int")
UNSIGNED_CONVERTER(_PyLong_UnsignedLong_Converter, unsigned long, PyLong_AsUnsignedLong, "unsigned long")
UNSIGNED_CONVERTER(_PyLong_UnsignedLongLong_Converter, unsigned long long, PyLong_AsUnsignedLongLong, "unsigned long long")
UNSIGNED_CONVERTER(_PyLong_Size_t_Converter, size_t, PyLong_AsSize_t, "size_t")
