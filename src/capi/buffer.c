/* The buffer protocol: PyObject_GetBuffer and the PyBuffer_* functions, copies between layouts included.
 *
 * A view without strides is C-contiguous; one without shape is a run of len bytes. Functions that walk a view fill in what
 * is missing in local arrays first. */
#include "capi/buffer.h"

#include <string.h>

int PyObject_CheckBuffer(PyObject *o)
{
    PyBufferProcs *procs = Py_TYPE(o)->tp_as_buffer;
    return procs && procs->bf_getbuffer;
}

int PyObject_GetBuffer(PyObject *o, Py_buffer *view, int flags)
{
    if (flags != PyBUF_SIMPLE && (flags == PyBUF_READ || flags == PyBUF_WRITE)) {
        PyErr_BadInternalCall();              /* flags of another function */
        return -1;
    }
    PyBufferProcs *procs = Py_TYPE(o)->tp_as_buffer;
    if (!procs || !procs->bf_getbuffer) {
        PyErr_Format(PyExc_TypeError, "a bytes-like object is required, not '%.100s'", Py_TYPE(o)->tp_name);
        return -1;
    }
    return procs->bf_getbuffer(o, view, flags);
}

void PyBuffer_Release(Py_buffer *view)
{
    PyObject *o = view->obj;
    if (!o) return;
    PyBufferProcs *procs = Py_TYPE(o)->tp_as_buffer;
    if (procs && procs->bf_releasebuffer) procs->bf_releasebuffer(o, view);
    view->obj = NULL;
    Py_DECREF(o);
}

int PyBuffer_FillInfo(Py_buffer *view, PyObject *exporter, void *buf, Py_ssize_t len, int readonly, int flags)
{
    if (!view) {
        PyErr_SetString(PyExc_BufferError, "PyBuffer_FillInfo: view==NULL argument is obsolete");
        return -1;
    }
    if (flags != PyBUF_SIMPLE) {
        if (flags == PyBUF_READ || flags == PyBUF_WRITE) {
            PyErr_BadInternalCall();
            return -1;
        }
        if ((flags & PyBUF_WRITABLE) && readonly) {
            PyErr_SetString(PyExc_BufferError, "Object is not writable.");
            return -1;
        }
    }
    view->obj = Py_XNewRef(exporter);
    view->buf = buf;
    view->len = len;
    view->readonly = readonly;
    view->itemsize = 1;
    view->format = flags & PyBUF_FORMAT ? (char *)(uintptr_t)"B" : NULL;
    view->ndim = 1;
    view->shape = flags & PyBUF_ND ? &view->len : NULL;
    view->strides = (flags & PyBUF_STRIDES) == PyBUF_STRIDES ? &view->itemsize : NULL;
    view->suboffsets = NULL;
    view->internal = NULL;
    return 0;
}

/* ---- layout --------------------------------------------------------------------------------------------------------------------------------- */

/* Strides grow from the first (Fortran) or the last dimension (C); dimensions of one item do not matter. */
static bool is_contiguous(const Py_buffer *view, bool fortran)
{
    if (view->len == 0) return true;
    if (!view->strides) {
        if (!fortran || view->ndim <= 1) return true;
        int larger = 0;
        for (int i = 0; i < view->ndim; i++) larger += view->shape[i] > 1;
        return larger <= 1;
    }
    Py_ssize_t expected = view->itemsize;
    for (int n = 0; n < view->ndim; n++) {
        int i = fortran ? n : view->ndim - 1 - n;
        if (view->shape[i] > 1 && view->strides[i] != expected) return false;
        expected *= view->shape[i];
    }
    return true;
}

int PyBuffer_IsContiguous(const Py_buffer *view, char order)
{
    if (view->suboffsets) return 0;
    if (order == 'C') return is_contiguous(view, false);
    if (order == 'F') return is_contiguous(view, true);
    if (order == 'A') return is_contiguous(view, false) || is_contiguous(view, true);
    return 0;
}

void PyBuffer_FillContiguousStrides(int ndim, Py_ssize_t *shape, Py_ssize_t *strides, int itemsize, char order)
{
    Py_ssize_t size = itemsize;
    for (int n = 0; n < ndim; n++) {
        int i = order == 'F' ? n : ndim - 1 - n;
        strides[i] = size;
        size *= shape[i];
    }
}

void *PyBuffer_GetPointer(const Py_buffer *view, const Py_ssize_t *indices)
{
    char *p = view->buf;
    for (int i = 0; i < view->ndim; i++) {
        p += view->strides[i] * indices[i];
        if (view->suboffsets && view->suboffsets[i] >= 0) p = *(char **)p + view->suboffsets[i];
    }
    return p;
}

Py_ssize_t PyBuffer_SizeFromFormat(const char *format)
{
    PyObject *result = NULL, *calcsize = NULL, *module = PyImport_ImportModule("struct");
    Py_ssize_t size = -1;
    if (module && (calcsize = PyObject_GetAttrString(module, "calcsize")) && (result = PyObject_CallFunction(calcsize, "s", format)))
        size = PyLong_AsSsize_t(result);
    Py_XDECREF(result);
    Py_XDECREF(calcsize);
    Py_XDECREF(module);
    return size;
}

/* ---- copying -------------------------------------------------------------------------------------------------------------------------------- */

/* One side of a copy: shape is common. */
typedef struct Side { char *p; const Py_ssize_t *strides, *suboffsets; } Side;

static inline char *follow(const Side *side, char *p, int level)
{
    return side->suboffsets && side->suboffsets[level] >= 0 ? *(char **)p + side->suboffsets[level] : p;
}

static void copy_level(Side to, Side from, const Py_ssize_t *shape, int ndim, int level, Py_ssize_t itemsize)
{
    bool plain = (!to.suboffsets || to.suboffsets[level] < 0) && (!from.suboffsets || from.suboffsets[level] < 0);
    if (level == ndim - 1 && plain && to.strides[level] == itemsize && from.strides[level] == itemsize) {
        memmove(to.p, from.p, (size_t)(shape[level] * itemsize));
        return;
    }
    for (Py_ssize_t i = 0; i < shape[level]; i++) {
        Side t = to, f = from;
        t.p = follow(&to, to.p + i * to.strides[level], level);
        f.p = follow(&from, from.p + i * from.strides[level], level);
        if (level == ndim - 1) memmove(t.p, f.p, (size_t)itemsize);
        else copy_level(t, f, shape, ndim, level + 1, itemsize);
    }
}

static void fill_strides(const Py_buffer *view, Py_ssize_t *strides, Py_ssize_t *shape)
{
    if (view->ndim == 0) return;
    if (view->shape) memcpy(shape, view->shape, (size_t)view->ndim * sizeof *shape);
    else shape[0] = view->len / (view->itemsize ? view->itemsize : 1);
    if (view->strides) memcpy(strides, view->strides, (size_t)view->ndim * sizeof *strides);
    else PyBuffer_FillContiguousStrides(view->ndim, shape, strides, (int)view->itemsize, 'C');
}

int buffer_copy(const Py_buffer *to, const Py_buffer *from)
{
    Py_ssize_t shape[PyBUF_MAX_NDIM], to_strides[PyBUF_MAX_NDIM], from_strides[PyBUF_MAX_NDIM];
    if (to->ndim == 0) {
        memmove(to->buf, from->buf, (size_t)from->itemsize);
        return 0;
    }
    fill_strides(to, to_strides, shape);
    fill_strides(from, from_strides, shape);
    Side t = { to->buf, to_strides, to->suboffsets }, f = { from->buf, from_strides, from->suboffsets };
    const char *to_low = to->buf, *from_low = from->buf;
    bool simple = to->ndim == 1 && !to->suboffsets && !from->suboffsets && to_strides[0] == to->itemsize && from_strides[0] == to->itemsize;
    if (simple || to_low + to->len <= from_low || from_low + from->len <= to_low) {
        Py_ssize_t product = 1;
        for (int i = 0; i < to->ndim; i++) product *= shape[i];
        if (simple || (product && !to->suboffsets && !from->suboffsets && to_strides[to->ndim - 1] > 0 && from_strides[to->ndim - 1] > 0 &&
                       PyBuffer_IsContiguous(to, 'C') && PyBuffer_IsContiguous(from, 'C'))) {
            memmove(to->buf, from->buf, (size_t)(product * to->itemsize));
            return 0;
        }
    }
    /* The two may overlap in any way: go through a contiguous copy. */
    Py_ssize_t between[PyBUF_MAX_NDIM], size = to->itemsize;
    for (int i = 0; i < to->ndim; i++) size *= shape[i];
    if (size == 0) return 0;
    char *memory = PyMem_Malloc((size_t)size);
    if (!memory) {
        PyErr_NoMemory();
        return -1;
    }
    PyBuffer_FillContiguousStrides(to->ndim, shape, between, (int)to->itemsize, 'C');
    Side m = { memory, between, NULL };
    copy_level(m, f, shape, to->ndim, 0, to->itemsize);
    copy_level(t, m, shape, to->ndim, 0, to->itemsize);
    PyMem_Free(memory);
    return 0;
}

/* Between a view and contiguous memory of its size, in C or Fortran order. */
static void copy_contiguous(const Py_buffer *view, char *memory, char order, bool to_memory)
{
    Py_ssize_t shape[PyBUF_MAX_NDIM], strides[PyBUF_MAX_NDIM], packed[PyBUF_MAX_NDIM];
    if (view->ndim == 0) {
        memcpy(to_memory ? memory : view->buf, to_memory ? view->buf : memory, (size_t)view->len);
        return;
    }
    fill_strides(view, strides, shape);
    if (order == 'A') order = PyBuffer_IsContiguous(view, 'F') && !PyBuffer_IsContiguous(view, 'C') ? 'F' : 'C';
    PyBuffer_FillContiguousStrides(view->ndim, shape, packed, (int)view->itemsize, order);
    Side v = { view->buf, strides, view->suboffsets }, m = { memory, packed, NULL };
    if (to_memory) copy_level(m, v, shape, view->ndim, 0, view->itemsize);
    else copy_level(v, m, shape, view->ndim, 0, view->itemsize);
}

int PyBuffer_ToContiguous(void *buf, const Py_buffer *view, Py_ssize_t len, char order)
{
    if (len != view->len) {
        PyErr_SetString(PyExc_ValueError, "PyBuffer_ToContiguous: len != view->len");
        return -1;
    }
    if (PyBuffer_IsContiguous(view, order)) memcpy(buf, view->buf, (size_t)len);
    else copy_contiguous(view, buf, order, true);
    return 0;
}

int PyBuffer_FromContiguous(const Py_buffer *view, const void *buf, Py_ssize_t len, char order)
{
    if (len > view->len) len = view->len;
    if (PyBuffer_IsContiguous(view, order)) memcpy(view->buf, buf, (size_t)len);
    else copy_contiguous(view, (char *)(uintptr_t)buf, order, false);
    return 0;
}

int PyObject_CopyData(PyObject *dest, PyObject *src)
{
    Py_buffer to, from;
    if (!PyObject_CheckBuffer(dest) || !PyObject_CheckBuffer(src)) {
        PyErr_SetString(PyExc_TypeError, "both destination and source must be bytes-like objects");
        return -1;
    }
    if (PyObject_GetBuffer(dest, &to, PyBUF_FULL) < 0) return -1;
    if (PyObject_GetBuffer(src, &from, PyBUF_FULL_RO) < 0) {
        PyBuffer_Release(&to);
        return -1;
    }
    int status = -1;
    if (to.len < from.len) {
        PyErr_SetString(PyExc_BufferError, "destination is too small to receive data from source");
        goto done;
    }
    if ((PyBuffer_IsContiguous(&to, 'C') && PyBuffer_IsContiguous(&from, 'C')) ||
        (PyBuffer_IsContiguous(&to, 'F') && PyBuffer_IsContiguous(&from, 'F'))) {
        memcpy(to.buf, from.buf, (size_t)from.len);
        status = 0;
    }
    else {
        char *memory = PyMem_Malloc(from.len ? (size_t)from.len : 1);
        if (!memory) PyErr_NoMemory();
        else {
            copy_contiguous(&from, memory, 'C', true);
            copy_contiguous(&to, memory, 'C', false);
            PyMem_Free(memory);
            status = 0;
        }
    }
done:
    PyBuffer_Release(&from);
    PyBuffer_Release(&to);
    return status;
}

/* ---- the old protocol, which the stable ABI still has ------------------------------------------------------------------------------------ */

PyAPI_FUNC(int) PyObject_AsCharBuffer(PyObject *o, const char **buffer, Py_ssize_t *length);
PyAPI_FUNC(int) PyObject_CheckReadBuffer(PyObject *o);
PyAPI_FUNC(int) PyObject_AsReadBuffer(PyObject *o, const void **buffer, Py_ssize_t *length);
PyAPI_FUNC(int) PyObject_AsWriteBuffer(PyObject *o, void **buffer, Py_ssize_t *length);

int PyObject_AsReadBuffer(PyObject *o, const void **buffer, Py_ssize_t *length)
{
    Py_buffer view;
    if (!o || !buffer || !length) {
        if (!PyErr_Occurred()) PyErr_SetString(PyExc_SystemError, "null argument to internal routine");
        return -1;
    }
    if (PyObject_GetBuffer(o, &view, PyBUF_SIMPLE) < 0) return -1;
    *buffer = view.buf;
    *length = view.len;
    PyBuffer_Release(&view);
    return 0;
}

int PyObject_AsCharBuffer(PyObject *o, const char **buffer, Py_ssize_t *length)
{
    return PyObject_AsReadBuffer(o, (const void **)buffer, length);
}

int PyObject_CheckReadBuffer(PyObject *o)
{
    Py_buffer view;
    PyBufferProcs *procs = Py_TYPE(o)->tp_as_buffer;
    if (!procs || !procs->bf_getbuffer) return 0;
    if (procs->bf_getbuffer(o, &view, PyBUF_SIMPLE) < 0) {
        PyErr_Clear();
        return 0;
    }
    PyBuffer_Release(&view);
    return 1;
}

int PyObject_AsWriteBuffer(PyObject *o, void **buffer, Py_ssize_t *length)
{
    Py_buffer view;
    if (!o || !buffer || !length) {
        if (!PyErr_Occurred()) PyErr_SetString(PyExc_SystemError, "null argument to internal routine");
        return -1;
    }
    PyBufferProcs *procs = Py_TYPE(o)->tp_as_buffer;
    if (!procs || !procs->bf_getbuffer || procs->bf_getbuffer(o, &view, PyBUF_WRITABLE) < 0) {
        PyErr_SetString(PyExc_TypeError, "expected a writable bytes-like object");
        return -1;
    }
    *buffer = view.buf;
    *length = view.len;
    PyBuffer_Release(&view);
    return 0;
}
