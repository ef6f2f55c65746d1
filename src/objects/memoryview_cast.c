/* memoryview.cast: other native formats and shapes over the same memory. */
#include "objects/memoryview_private.h"

#include "objects/memoryview_items.h"

#include <string.h>

static bool is_byte_code(char code) { return code == 'b' || code == 'B' || code == 'c'; }

static bool zero_in_shape(const Py_buffer *view)
{
    for (int i = 0; i < view->ndim; i++) {
        if (view->shape[i] == 0) return true;
    }
    return false;
}

/* The format as constant text: the view must not point into a str that may go away. */
static const char *constant_format(const char *format)
{
    static const char texts[] = "@c\0@b\0@B\0@h\0@H\0@i\0@I\0@l\0@L\0@q\0@Q\0@n\0@N\0@e\0@f\0@d\0@?\0@P\0";
    bool prefixed = format[0] == '@';
    for (const char *p = texts; *p; p += 3) {
        if (p[1] == format[prefixed]) return prefixed ? p : p + 1;
    }
    return NULL;
}

static int cast_to_1d(PyMemoryViewObject *v, PyObject *format)
{
    Py_buffer *view = &v->view;
    const char *text = PyUnicode_AsUTF8(format);
    char code, old;
    if (!text) return -1;
    Py_ssize_t itemsize = item_format(text, &code);
    if (itemsize < 0) {
        PyErr_SetString(PyExc_ValueError,
                        "memoryview: destination format must be a native single character format prefixed with an optional '@'");
        return -1;
    }
    if ((item_format(view->format, &old) < 0 || !is_byte_code(old)) && !is_byte_code(code)) {
        PyErr_SetString(PyExc_TypeError, "memoryview: cannot cast between two non-byte formats");
        return -1;
    }
    if (view->len % itemsize) {
        PyErr_SetString(PyExc_TypeError, "memoryview: length is not a multiple of itemsize");
        return -1;
    }
    view->format = (char *)(uintptr_t)constant_format(text);
    view->itemsize = itemsize;
    view->ndim = 1;
    view->shape[0] = view->len / itemsize;
    view->strides[0] = itemsize;
    view->suboffsets = NULL;
    memoryview_init_flags(v);
    return 0;
}

/* The product of shape and item size, or -1. */
static Py_ssize_t read_shape(Py_ssize_t *out, PyObject *shape, int ndim, Py_ssize_t itemsize)
{
    Py_ssize_t length = itemsize;
    for (int i = 0; i < ndim; i++) {
        PyObject *item = PySequence_Fast_GET_ITEM(shape, i);
        if (!PyLong_Check(item)) {
            PyErr_SetString(PyExc_TypeError, "memoryview.cast(): elements of shape must be integers");
            return -1;
        }
        Py_ssize_t n = PyLong_AsSsize_t(item);
        if (n == -1 && PyErr_Occurred()) return -1;
        if (n <= 0) {
            PyErr_SetString(PyExc_ValueError, "memoryview.cast(): elements of shape must be integers > 0");
            return -1;
        }
        if (n > PY_SSIZE_T_MAX / length) {
            PyErr_SetString(PyExc_ValueError, "memoryview.cast(): product(shape) > SSIZE_MAX");
            return -1;
        }
        length *= n;
        out[i] = n;
    }
    return length;
}

static int cast_to_nd(PyMemoryViewObject *v, PyObject *shape, int ndim)
{
    Py_buffer *view = &v->view;
    Py_ssize_t length = view->itemsize;
    view->ndim = ndim;
    if (ndim == 0) view->shape = view->strides = NULL;
    else {
        view->shape = v->ob_array;
        view->strides = v->ob_array + ndim;
        length = read_shape(view->shape, shape, ndim, view->itemsize);
        if (length < 0) return -1;
        PyBuffer_FillContiguousStrides(ndim, view->shape, view->strides, (int)view->itemsize, 'C');
    }
    if (view->len != length) {
        PyErr_SetString(PyExc_TypeError, "memoryview: product(shape) * itemsize != buffer size");
        return -1;
    }
    memoryview_init_flags(v);
    return 0;
}

PyObject *memoryview_cast_to(PyMemoryViewObject *self, PyObject *format, PyObject *shape)
{
    int ndim = 1;
    if (!(self->flags & _Py_MEMORYVIEW_C)) {
        PyErr_SetString(PyExc_TypeError, "memoryview: casts are restricted to C-contiguous views");
        return NULL;
    }
    if ((shape || self->view.ndim != 1) && zero_in_shape(&self->view)) {
        PyErr_SetString(PyExc_TypeError, "memoryview: cannot cast view with zeros in shape or strides");
        return NULL;
    }
    if (shape) {
        if (!PyList_Check(shape) && !PyTuple_Check(shape)) {
            PyErr_SetString(PyExc_TypeError, "shape must be a list or a tuple");
            return NULL;
        }
        Py_ssize_t n = PySequence_Fast_GET_SIZE(shape);
        if (n > PyBUF_MAX_NDIM) {
            PyErr_SetString(PyExc_ValueError, "memoryview: number of dimensions must not exceed 64");
            return NULL;
        }
        ndim = (int)n;
        if (self->view.ndim != 1 && ndim != 1) {
            PyErr_SetString(PyExc_TypeError, "memoryview: cast must be 1D -> ND or ND -> 1D");
            return NULL;
        }
    }
    PyMemoryViewObject *v = memoryview_incomplete(self->mbuf, &self->view, ndim == 0 ? 1 : ndim);
    if (!v) return NULL;
    if (cast_to_1d(v, format) < 0 || (shape && cast_to_nd(v, shape, ndim) < 0)) {
        Py_DECREF(v);
        return NULL;
    }
    return OBJECT(v);
}
