/* Private names that compiled modules import, of things that belong to runtime/. */
#include "runtime/state.h"

#include <fcntl.h>

PyAPI_FUNC(int) _Py_IsValidFD(int fd);
PyAPI_FUNC(int) _Py_convert_optional_to_ssize_t(PyObject *o, void *result);

int _Py_IsValidFD(int fd) { return fd >= 0 && fcntl(fd, F_GETFD) >= 0; }

/* A converter of PyArg_Parse: None leaves the value as it is. */
int _Py_convert_optional_to_ssize_t(PyObject *o, void *result)
{
    if (o == Py_None) return 1;
    if (!PyIndex_Check(o)) {
        PyErr_Format(PyExc_TypeError, "argument should be integer or None, not '%.200s'", Py_TYPE(o)->tp_name);
        return 0;
    }
    Py_ssize_t value = PyNumber_AsSsize_t(o, PyExc_OverflowError);
    if (value == -1 && PyErr_Occurred()) return 0;
    *(Py_ssize_t *)result = value;
    return 1;
}
