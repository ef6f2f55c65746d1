/* Small things that sys asks of other components. */
#include "runtime/state.h"
#include "modules/sys_private.h"

PyObject *frame_get_trace(PyFrameObject *frame)
{
    PyObject *function = PyObject_GetAttr((PyObject *)frame, STR(f_trace));
    if (!function) PyErr_Clear();
    if (function == Py_None) Py_CLEAR(function);
    return function;
}

void frame_set_trace(PyFrameObject *frame, PyObject *function)
{
    if (PyObject_SetAttr((PyObject *)frame, STR(f_trace), function ? function : Py_None) < 0) PyErr_Clear();
}
