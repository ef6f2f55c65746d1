/* memoryview: indexing, slicing, assignment, comparison and tolist. */
#include "objects/memoryview_private.h"

#include "capi/buffer.h"
#include "objects/memoryview_items.h"

#include <string.h>

static const char *view_format(const Py_buffer *view) { return view->format ? view->format : "B"; }

/* The character of the view's native format; 0 with NotImplementedError. */
static char native_code(const Py_buffer *view)
{
    char code;
    if (item_format(view_format(view), &code) >= 0) return code;
    PyErr_Format(PyExc_NotImplementedError, "memoryview: unsupported format %s", view_format(view));
    return 0;
}

/* ---- finding items ----------------------------------------------------------------------------------------------------------------------- */

char *memoryview_pointer(const Py_buffer *view, char *p, int dimension, Py_ssize_t index)
{
    Py_ssize_t n = view->shape[dimension];
    if (index < 0) index += n;
    if (index < 0 || index >= n) {
        PyErr_Format(PyExc_IndexError, "index out of bounds on dimension %d", dimension + 1);
        return NULL;
    }
    p += view->strides[dimension] * index;
    if (view->suboffsets && view->suboffsets[dimension] >= 0) p = *(char **)p + view->suboffsets[dimension];
    return p;
}

static char *pointer_from_tuple(const Py_buffer *view, PyObject *indices)
{
    Py_ssize_t n = PyTuple_GET_SIZE(indices);
    char *p = view->buf;
    if (n > view->ndim) {
        PyErr_Format(PyExc_TypeError, "cannot index %zd-dimension view with %zd-element tuple", (Py_ssize_t)view->ndim, n);
        return NULL;
    }
    for (Py_ssize_t i = 0; i < n && p; i++) {
        Py_ssize_t index = PyNumber_AsSsize_t(PyTuple_GET_ITEM(indices, i), PyExc_IndexError);
        if (index == -1 && PyErr_Occurred()) return NULL;
        p = memoryview_pointer(view, p, (int)i, index);
    }
    return p;
}

static bool all_indices(PyObject *key)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(key); i++) {
        if (!PyIndex_Check(PyTuple_GET_ITEM(key, i))) return false;
    }
    return true;
}

static bool all_slices(PyObject *key)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(key); i++) {
        if (!PySlice_Check(PyTuple_GET_ITEM(key, i))) return false;
    }
    return PyTuple_GET_SIZE(key) > 0;
}

PyObject *memoryview_item(PyObject *self, Py_ssize_t index)
{
    if (memoryview_check(VIEW(self)) < 0) return NULL;
    const Py_buffer *view = &VIEW(self)->view;
    char code = native_code(view);
    if (!code) return NULL;
    if (view->ndim == 0) {
        PyErr_SetString(PyExc_TypeError, "invalid indexing of 0-dim memory");
        return NULL;
    }
    if (view->ndim > 1) {
        PyErr_SetString(PyExc_NotImplementedError, "multi-dimensional sub-views are not implemented");
        return NULL;
    }
    char *p = memoryview_pointer(view, view->buf, 0, index);
    if (!p || memoryview_check(VIEW(self)) < 0) return NULL;
    return item_unpack(p, code, view_format(view));
}

static PyObject *item_at_tuple(PyMemoryViewObject *self, PyObject *key)
{
    const Py_buffer *view = &self->view;
    char code = native_code(view);
    if (!code) return NULL;
    if (PyTuple_GET_SIZE(key) < view->ndim) {
        PyErr_SetString(PyExc_NotImplementedError, "sub-views are not implemented");
        return NULL;
    }
    char *p = pointer_from_tuple(view, key);
    if (!p || memoryview_check(self) < 0) return NULL;
    return item_unpack(p, code, view_format(view));
}

/* Narrows the first dimension of a view. */
static int apply_slice(Py_buffer *view, PyObject *key)
{
    Py_ssize_t start, stop, step;
    if (PySlice_Unpack(key, &start, &stop, &step) < 0) return -1;
    Py_ssize_t n = PySlice_AdjustIndices(view->shape[0], &start, &stop, step);
    if (!view->suboffsets || view->suboffsets[0] < 0) view->buf = (char *)view->buf + view->strides[0] * start;
    else {
        /* the pointers of the first dimension move, and what follows them stays */
        view->buf = (char *)view->buf + view->strides[0] * start;
    }
    view->shape[0] = n;
    view->strides[0] *= step;
    return 0;
}

static void update_length(Py_buffer *view)
{
    view->len = view->itemsize;
    for (int i = 0; i < view->ndim; i++) view->len *= view->shape[i];
}

PyObject *memoryview_subscript(PyObject *o, PyObject *key)
{
    PyMemoryViewObject *self = VIEW(o);
    if (memoryview_check(self) < 0) return NULL;
    const Py_buffer *view = &self->view;
    if (view->ndim == 0) {
        if (PyTuple_Check(key) && PyTuple_GET_SIZE(key) == 0) {
            char code = native_code(view);
            return code ? item_unpack(view->buf, code, view_format(view)) : NULL;
        }
        if (key == Py_Ellipsis) return Py_NewRef(o);
        PyErr_SetString(PyExc_TypeError, "invalid indexing of 0-dim memory");
        return NULL;
    }
    if (PyIndex_Check(key)) {
        Py_ssize_t index = PyNumber_AsSsize_t(key, PyExc_IndexError);
        return index == -1 && PyErr_Occurred() ? NULL : memoryview_item(o, index);
    }
    if (PySlice_Check(key)) {
        if (memoryview_check_unrestricted(self) < 0) return NULL;
        PyMemoryViewObject *part = VIEW(memoryview_another(self->mbuf, view));
        if (!part) return NULL;
        if (apply_slice(&part->view, key) < 0) {
            Py_DECREF(part);
            return NULL;
        }
        update_length(&part->view);
        memoryview_init_flags(part);
        return OBJECT(part);
    }
    if (PyTuple_Check(key)) {
        if (all_indices(key)) return item_at_tuple(self, key);
        if (all_slices(key)) {
            PyErr_SetString(PyExc_NotImplementedError, "multi-dimensional slicing is not implemented");
            return NULL;
        }
    }
    PyErr_SetString(PyExc_TypeError, "memoryview: invalid slice key");
    return NULL;
}

/* ---- assignment --------------------------------------------------------------------------------------------------------------------------- */

/* Same item format, and the same shape up to the first dimension of no items. */
static bool same_shape(const Py_buffer *a, const Py_buffer *b)
{
    if (a->ndim != b->ndim) return false;
    for (int i = 0; i < a->ndim; i++) {
        if (a->shape[i] != b->shape[i]) return false;
        if (a->shape[i] == 0) break;
    }
    return true;
}

static bool same_format(const Py_buffer *a, const Py_buffer *b)
{
    const char *f = view_format(a), *g = view_format(b);
    if (*f == '@') f++;
    if (*g == '@') g++;
    return strcmp(f, g) == 0 && a->itemsize == b->itemsize;
}

static int assign_slice(PyMemoryViewObject *self, PyObject *key, PyObject *value)
{
    Py_buffer source, target = self->view;
    Py_ssize_t shape[1], strides[1], suboffsets[1];
    if (PyObject_GetBuffer(value, &source, PyBUF_FULL_RO) < 0) return -1;
    target.shape = shape;
    target.strides = strides;
    shape[0] = self->view.shape[0];
    strides[0] = self->view.strides[0];
    if (self->view.suboffsets) {
        target.suboffsets = suboffsets;
        suboffsets[0] = self->view.suboffsets[0];
    }
    int status = -1;
    if (apply_slice(&target, key) < 0) goto done;
    target.len = shape[0] * target.itemsize;
    Py_ssize_t whole = source.itemsize ? source.len / source.itemsize : 0;
    if (source.ndim == 1 && !source.shape) source.shape = &whole;
    if (memoryview_check(self) < 0) goto done;
    if (source.ndim != 1 || !same_format(&target, &source) || !same_shape(&target, &source)) {
        PyErr_SetString(PyExc_ValueError, "memoryview assignment: lvalue and rvalue have different structures");
        goto done;
    }
    status = buffer_copy(&target, &source);
done:
    PyBuffer_Release(&source);
    return status;
}

static int store_item(PyMemoryViewObject *self, char *p, PyObject *value, char code)
{
    /* converting may run Python code that releases the view: convert first, then store */
    char item[16];
    char native[2] = { code, 0 };
    Py_ssize_t size = item_format(native, &code);
    if (item_pack(item, value, code, view_format(&self->view)) < 0 || memoryview_check(self) < 0) return -1;
    memcpy(p, item, (size_t)size);
    return 0;
}

int memoryview_assign(PyObject *o, PyObject *key, PyObject *value)
{
    PyMemoryViewObject *self = VIEW(o);
    if (memoryview_check(self) < 0) return -1;
    const Py_buffer *view = &self->view;
    char code = native_code(view), *p;
    if (!code) return -1;
    if (view->readonly) {
        PyErr_SetString(PyExc_TypeError, "cannot modify read-only memory");
        return -1;
    }
    if (!value) {
        PyErr_SetString(PyExc_TypeError, "cannot delete memory");
        return -1;
    }
    if (view->ndim == 0) {
        if (key == Py_Ellipsis || (PyTuple_Check(key) && PyTuple_GET_SIZE(key) == 0)) return store_item(self, view->buf, value, code);
        PyErr_SetString(PyExc_TypeError, "invalid indexing of 0-dim memory");
        return -1;
    }
    if (PyIndex_Check(key)) {
        if (view->ndim > 1) {
            PyErr_SetString(PyExc_NotImplementedError, "sub-views are not implemented");
            return -1;
        }
        Py_ssize_t index = PyNumber_AsSsize_t(key, PyExc_IndexError);
        if (index == -1 && PyErr_Occurred()) return -1;
        if (memoryview_check(self) < 0) return -1;
        p = memoryview_pointer(view, view->buf, 0, index);
        return p ? store_item(self, p, value, code) : -1;
    }
    if (PySlice_Check(key) && view->ndim == 1) return assign_slice(self, key, value);
    if (PyTuple_Check(key) && all_indices(key)) {
        if (PyTuple_GET_SIZE(key) < view->ndim) {
            PyErr_SetString(PyExc_NotImplementedError, "sub-views are not implemented");
            return -1;
        }
        p = pointer_from_tuple(view, key);
        return p ? store_item(self, p, value, code) : -1;
    }
    if (PySlice_Check(key) || (PyTuple_Check(key) && all_slices(key))) {
        PyErr_SetString(PyExc_NotImplementedError, "memoryview slice assignments are currently restricted to ndim = 1");
        return -1;
    }
    PyErr_SetString(PyExc_TypeError, "memoryview: invalid slice key");
    return -1;
}

/* ---- tolist ---------------------------------------------------------------------------------------------------------------------------------- */

static PyObject *list_of_level(const Py_buffer *view, char *p, int level, char code)
{
    if (level == view->ndim) return item_unpack(p, code, view_format(view));
    PyObject *list = PyList_New(view->shape[level]);
    for (Py_ssize_t i = 0; list && i < view->shape[level]; i++) {
        PyObject *item = list_of_level(view, memoryview_pointer(view, p, level, i), level + 1, code);
        if (item) PyList_SET_ITEM(list, i, item);
        else Py_CLEAR(list);
    }
    return list;
}

PyObject *memoryview_to_list(PyMemoryViewObject *v)
{
    char code;
    if (item_format(view_format(&v->view), &code) < 0) {
        PyErr_Format(PyExc_NotImplementedError, "memoryview: unsupported format %s", view_format(&v->view));
        return NULL;
    }
    return list_of_level(&v->view, v->view.buf, 0, code);
}

/* ---- comparison ------------------------------------------------------------------------------------------------------------------------------ */

/* An item of a format that only struct understands. */
typedef struct Unpacker { PyObject *unpack; Py_ssize_t size; } Unpacker;

static int unpacker_make(Unpacker *unpacker, const char *format)
{
    PyObject *module = PyImport_ImportModule("struct"), *instance = NULL, *size = NULL;
    *unpacker = (Unpacker){ NULL, -1 };
    if (module && (instance = PyObject_CallMethod(module, "Struct", "s", format))) {
        unpacker->unpack = PyObject_GetAttrString(instance, "unpack");
        if (unpacker->unpack && (size = PyObject_GetAttrString(instance, "size"))) unpacker->size = PyLong_AsSsize_t(size);
    }
    Py_XDECREF(size);
    Py_XDECREF(instance);
    Py_XDECREF(module);
    if (unpacker->size >= 0) return 0;
    Py_CLEAR(unpacker->unpack);
    return -1;
}

static PyObject *unpacker_item(const Unpacker *unpacker, const char *p)
{
    PyObject *bytes = PyBytes_FromStringAndSize(p, unpacker->size);
    if (!bytes) return NULL;
    PyObject *items = PyObject_CallOneArg(unpacker->unpack, bytes);
    Py_DECREF(bytes);
    if (items && PyTuple_Check(items) && PyTuple_GET_SIZE(items) == 1) Py_SETREF(items, Py_NewRef(PyTuple_GET_ITEM(items, 0)));
    return items;
}

typedef struct Comparison { const Py_buffer *a, *b; char code; Unpacker left, right; } Comparison;

static int equal_items(const Comparison *c, const char *p, const char *q)
{
    if (c->code) return item_equal(p, q, c->code);
    PyObject *x = unpacker_item(&c->left, p), *y = x ? unpacker_item(&c->right, q) : NULL;
    int equal = y ? PyObject_RichCompareBool(x, y, Py_EQ) : -1;
    Py_XDECREF(x);
    Py_XDECREF(y);
    return equal;
}

static int equal_level(const Comparison *c, char *p, char *q, int level)
{
    if (level == c->a->ndim) return equal_items(c, p, q);
    for (Py_ssize_t i = 0; i < c->a->shape[level]; i++) {
        int equal = equal_level(c, memoryview_pointer(c->a, p, level, i), memoryview_pointer(c->b, q, level, i), level + 1);
        if (equal <= 0) return equal;
    }
    return 1;
}

static int equal_views(const Py_buffer *a, const Py_buffer *b)
{
    char code_a, code_b;
    if (!same_shape(a, b)) return 0;
    Comparison c = { a, b, 0, { NULL, 0 }, { NULL, 0 } };
    bool native = item_format(view_format(a), &code_a) >= 0 && item_format(view_format(b), &code_b) >= 0 && code_a == code_b;
    if (native) c.code = code_a;
    else if (unpacker_make(&c.left, view_format(a)) < 0 || unpacker_make(&c.right, view_format(b)) < 0) {
        /* a format that struct does not know makes views unequal; other failures count */
        PyObject *module = NULL, *error = NULL, *raised = PyErr_GetRaisedException();
        module = PyImport_ImportModule("struct");
        error = module ? PyObject_GetAttrString(module, "error") : NULL;
        int result = -1;
        if (error && PyErr_GivenExceptionMatches(raised, error)) {
            Py_DECREF(raised);
            result = 0;
        }
        else {
            PyErr_Clear();
            PyErr_SetRaisedException(raised);
        }
        Py_XDECREF(error);
        Py_XDECREF(module);
        Py_XDECREF(c.left.unpack);
        Py_XDECREF(c.right.unpack);
        return result;
    }
    int equal;
    if (a->ndim == 1 && native && !a->suboffsets && !b->suboffsets && a->strides[0] == a->itemsize && b->strides[0] == b->itemsize &&
        !strchr("fde?", code_a))
        equal = memcmp(a->buf, b->buf, (size_t)(a->shape[0] * a->itemsize)) == 0;
    else equal = equal_level(&c, a->buf, b->buf, 0);
    Py_XDECREF(c.left.unpack);
    Py_XDECREF(c.right.unpack);
    return equal;
}

PyObject *memoryview_richcompare(PyObject *v, PyObject *w, int op)
{
    if ((op != Py_EQ && op != Py_NE) || !PyMemoryView_Check(v)) Py_RETURN_NOTIMPLEMENTED;
    int equal;
    if (memoryview_is_released(VIEW(v)) || (PyMemoryView_Check(w) && memoryview_is_released(VIEW(w)))) equal = v == w;
    else {
        Py_buffer other;
        if (PyObject_GetBuffer(w, &other, PyBUF_FULL_RO) < 0) {
            PyErr_Clear();
            Py_RETURN_NOTIMPLEMENTED;
        }
        Py_ssize_t shape[PyBUF_MAX_NDIM], strides[PyBUF_MAX_NDIM];
        if (!other.shape && other.ndim) {
            shape[0] = other.len / (other.itemsize ? other.itemsize : 1);
            other.shape = shape;
        }
        if (!other.strides && other.ndim) {
            PyBuffer_FillContiguousStrides(other.ndim, other.shape, strides, (int)other.itemsize, 'C');
            other.strides = strides;
        }
        VIEW(v)->exports++;                   /* comparing items may run code that would release it */
        equal = equal_views(&VIEW(v)->view, &other);
        VIEW(v)->exports--;
        PyBuffer_Release(&other);
    }
    if (equal < 0) return NULL;
    return PyBool_FromLong(equal == (op == Py_EQ));
}
