/* memoryview, the type, with the managed buffer behind it and its iterator.
 *
 * A managed buffer holds one Py_buffer of the exporter; all memoryviews derived from each other share it and count as its
 * exports. Each memoryview has a copy of the description with arrays of its own, and counts the buffers others hold of it:
 * while there are any it cannot be released. */
#include "objects/memoryview_private.h"

#include "capi/args.h"
#include "objects/bytes.h"
#include "objects/memoryview_items.h"
#include "objects/unicode.h"

#include <string.h>

/* ---- managed buffer ------------------------------------------------------------------------------------------------------------------------ */

static _PyManagedBufferObject *managed_new(void)
{
    _PyManagedBufferObject *m = PyObject_GC_New(_PyManagedBufferObject, &memory_managed_buffer_type);
    if (!m) return NULL;
    m->flags = 0;
    m->exports = 0;
    memset(&m->master, 0, sizeof m->master);
    PyObject_GC_Track(m);
    return m;
}

static void managed_release(_PyManagedBufferObject *m)
{
    if (m->flags & _Py_MANAGED_BUFFER_RELEASED) return;
    m->flags |= _Py_MANAGED_BUFFER_RELEASED;
    PyBuffer_Release(&m->master);
}

static void managed_dealloc(PyObject *o)
{
    _PyManagedBufferObject *m = (_PyManagedBufferObject *)o;
    assert(m->exports == 0);
    PyObject_GC_UnTrack(o);
    managed_release(m);
    if (m->flags & _Py_MANAGED_BUFFER_FREE_FORMAT) PyMem_Free(m->master.format);
    PyObject_GC_Del(o);
}

static int managed_traverse(PyObject *o, visitproc visit, void *arg)
{
    Py_VISIT(((_PyManagedBufferObject *)o)->master.obj);
    return 0;
}

static int managed_clear(PyObject *o)
{
    assert(((_PyManagedBufferObject *)o)->exports >= 0);
    managed_release((_PyManagedBufferObject *)o);
    return 0;
}

PyTypeObject memory_managed_buffer_type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "managedbuffer",
    .tp_basicsize = sizeof(_PyManagedBufferObject),
    .tp_dealloc = managed_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = managed_traverse,
    .tp_clear = managed_clear,
};

/* ---- making views ---------------------------------------------------------------------------------------------------------------------------- */

bool memoryview_is_released(const PyMemoryViewObject *v)
{
    return (v->flags & _Py_MEMORYVIEW_RELEASED) || (v->mbuf->flags & _Py_MANAGED_BUFFER_RELEASED);
}

int memoryview_check(const PyMemoryViewObject *v)
{
    if (LIKELY(!memoryview_is_released(v))) return 0;
    PyErr_SetString(PyExc_ValueError, "operation forbidden on released memoryview object");
    return -1;
}

int memoryview_check_unrestricted(const PyMemoryViewObject *v)
{
    if (memoryview_check(v) < 0) return -1;
    if (!(v->flags & _Py_MEMORYVIEW_RESTRICTED)) return 0;
    PyErr_SetString(PyExc_ValueError, "cannot create new view on restricted memoryview");
    return -1;
}

void memoryview_init_flags(PyMemoryViewObject *v)
{
    const Py_buffer *view = &v->view;
    int flags = 0;
    if (view->ndim == 0) flags = _Py_MEMORYVIEW_SCALAR | _Py_MEMORYVIEW_C | _Py_MEMORYVIEW_FORTRAN;
    else if (view->ndim == 1) {
        if (view->shape[0] == 1 || view->strides[0] == view->itemsize) flags = _Py_MEMORYVIEW_C | _Py_MEMORYVIEW_FORTRAN;
    }
    else {
        if (PyBuffer_IsContiguous(view, 'C')) flags |= _Py_MEMORYVIEW_C;
        if (PyBuffer_IsContiguous(view, 'F')) flags |= _Py_MEMORYVIEW_FORTRAN;
    }
    if (view->suboffsets) flags = (flags & ~(_Py_MEMORYVIEW_C | _Py_MEMORYVIEW_FORTRAN)) | _Py_MEMORYVIEW_PIL;
    v->flags = flags;
}

static PyMemoryViewObject *view_alloc(int ndim)
{
    PyMemoryViewObject *v = PyObject_GC_NewVar(PyMemoryViewObject, &PyMemoryView_Type, 3 * ndim);
    if (!v) return NULL;
    v->mbuf = NULL;
    v->hash = -1;
    v->flags = 0;
    v->exports = 0;
    v->weakreflist = NULL;
    memset(&v->view, 0, sizeof v->view);
    v->view.ndim = ndim;
    v->view.shape = v->ob_array;
    v->view.strides = v->ob_array + ndim;
    v->view.suboffsets = v->ob_array + 2 * ndim;
    return v;
}

static void attach(PyMemoryViewObject *v, _PyManagedBufferObject *m)
{
    v->mbuf = (_PyManagedBufferObject *)Py_NewRef(m);
    m->exports++;
    PyObject_GC_Track(v);
}

static int check_source(_PyManagedBufferObject *m, const Py_buffer *like)
{
    if (m->flags & _Py_MANAGED_BUFFER_RELEASED) {
        PyErr_SetString(PyExc_ValueError, "operation forbidden on released memoryview object");
        return -1;
    }
    if (like->ndim > PyBUF_MAX_NDIM) {
        PyErr_SetString(PyExc_ValueError, "memoryview: number of dimensions must not exceed 64");
        return -1;
    }
    return 0;
}

static void copy_description(Py_buffer *to, const Py_buffer *from)
{
    to->obj = from->obj;
    to->buf = from->buf;
    to->len = from->len;
    to->itemsize = from->itemsize;
    to->readonly = from->readonly;
    to->format = from->format ? from->format : (char *)(uintptr_t)"B";
    to->internal = from->internal;
}

PyObject *memoryview_another(_PyManagedBufferObject *m, const Py_buffer *like)
{
    if (!like) like = &m->master;
    if (check_source(m, like) < 0) return NULL;
    int ndim = like->ndim;
    PyMemoryViewObject *v = view_alloc(ndim);
    if (!v) return NULL;
    Py_buffer *view = &v->view;
    copy_description(view, like);
    if (ndim == 0) view->shape = view->strides = view->suboffsets = NULL;
    else {
        if (like->shape) memcpy(view->shape, like->shape, (size_t)ndim * sizeof(Py_ssize_t));
        else view->shape[0] = like->itemsize ? like->len / like->itemsize : 0;
        if (like->strides) memcpy(view->strides, like->strides, (size_t)ndim * sizeof(Py_ssize_t));
        else PyBuffer_FillContiguousStrides(ndim, view->shape, view->strides, (int)like->itemsize, 'C');
        if (like->suboffsets) memcpy(view->suboffsets, like->suboffsets, (size_t)ndim * sizeof(Py_ssize_t));
        else view->suboffsets = NULL;
    }
    memoryview_init_flags(v);
    attach(v, m);
    return OBJECT(v);
}

PyMemoryViewObject *memoryview_incomplete(_PyManagedBufferObject *m, const Py_buffer *like, int ndim)
{
    if (check_source(m, like) < 0) return NULL;
    PyMemoryViewObject *v = view_alloc(ndim);
    if (!v) return NULL;
    copy_description(&v->view, like);
    attach(v, m);
    return v;
}

static PyObject *from_managed(_PyManagedBufferObject *m)
{
    PyObject *v = memoryview_another(m, NULL);
    Py_DECREF(m);
    return v;
}

/* As PyMemoryView_FromObject, with a request of its own (PyBUF_*). */
static PyObject *memoryview_from_flags(PyObject *o, int flags)
{
    if (PyMemoryView_Check(o)) {
        PyMemoryViewObject *v = VIEW(o);
        if (memoryview_check_unrestricted(v) < 0) return NULL;
        return memoryview_another(v->mbuf, &v->view);
    }
    if (!PyObject_CheckBuffer(o)) {
        PyErr_Format(PyExc_TypeError, "memoryview: a bytes-like object is required, not '%.200s'", Py_TYPE(o)->tp_name);
        return NULL;
    }
    _PyManagedBufferObject *m = managed_new();
    if (!m) return NULL;
    if (PyObject_GetBuffer(o, &m->master, flags) < 0) {
        m->master.obj = NULL;
        Py_DECREF(m);
        return NULL;
    }
    return from_managed(m);
}

PyObject *memoryview_from_function(PyObject *o, int flags, getbufferproc function)
{
    _PyManagedBufferObject *m = managed_new();
    if (!m) return NULL;
    if (function(o, &m->master, flags) < 0) {
        m->master.obj = NULL;
        Py_DECREF(m);
        return NULL;
    }
    return from_managed(m);
}

PyObject *PyMemoryView_FromObject(PyObject *o) { return memoryview_from_flags(o, PyBUF_FULL_RO); }

PyObject *PyMemoryView_FromMemory(char *memory, Py_ssize_t size, int flags)
{
    assert(memory && (flags == PyBUF_READ || flags == PyBUF_WRITE));
    _PyManagedBufferObject *m = managed_new();
    if (!m) return NULL;
    if (PyBuffer_FillInfo(&m->master, NULL, memory, size, flags != PyBUF_WRITE, PyBUF_FULL_RO) < 0) {
        Py_DECREF(m);
        return NULL;
    }
    return from_managed(m);
}

PyObject *PyMemoryView_FromBuffer(const Py_buffer *info)
{
    if (!info->buf) {
        PyErr_SetString(PyExc_ValueError, "PyMemoryView_FromBuffer(): info->buf must not be NULL");
        return NULL;
    }
    _PyManagedBufferObject *m = managed_new();
    if (!m) return NULL;
    m->master = *info;
    m->master.obj = NULL;                     /* the caller's reference, not ours to release */
    return from_managed(m);
}

/* A view of bytes that hold the items of view, in order. */
static PyObject *contiguous_copy(const Py_buffer *view, char order)
{
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, view->len);
    if (!bytes) return NULL;
    PyObject *base = PyMemoryView_FromObject(bytes);
    if (!base || PyBuffer_ToContiguous(PyBytes_AS_STRING(bytes), view, view->len, order) < 0) {
        Py_DECREF(bytes);
        Py_XDECREF(base);
        return NULL;
    }
    Py_DECREF(bytes);
    PyMemoryViewObject *v = memoryview_incomplete(VIEW(base)->mbuf, view, view->ndim ? view->ndim : 1);
    if (v) {
        v->view.buf = VIEW(base)->view.buf;
        v->view.obj = VIEW(base)->view.obj;
        v->view.readonly = 1;
        v->view.internal = NULL;
        v->view.suboffsets = NULL;
        v->view.ndim = view->ndim;
        if (view->ndim == 0) v->view.shape = v->view.strides = NULL;
        else {
            memcpy(v->view.shape, view->shape, (size_t)view->ndim * sizeof(Py_ssize_t));
            PyBuffer_FillContiguousStrides(view->ndim, v->view.shape, v->view.strides, (int)view->itemsize, order);
        }
        memoryview_init_flags(v);
    }
    Py_DECREF(base);
    return OBJECT(v);
}

PyObject *PyMemoryView_GetContiguous(PyObject *o, int buffertype, char order)
{
    assert(buffertype == PyBUF_READ || buffertype == PyBUF_WRITE);
    PyObject *v = PyMemoryView_FromObject(o);
    if (!v) return NULL;
    Py_buffer *view = &VIEW(v)->view;
    if (buffertype == PyBUF_WRITE && view->readonly) {
        PyErr_SetString(PyExc_BufferError, "underlying buffer is not writable");
        Py_DECREF(v);
        return NULL;
    }
    if (PyBuffer_IsContiguous(view, order)) return v;
    PyObject *result = NULL;
    if (buffertype == PyBUF_WRITE)
        PyErr_SetString(PyExc_BufferError, "writable contiguous buffer requested for a non-contiguous object.");
    else result = contiguous_copy(view, order == 'A' ? 'C' : order);
    Py_DECREF(v);
    return result;
}

/* ---- release --------------------------------------------------------------------------------------------------------------------------------- */

/* 0, or -1 with BufferError while others hold buffers of it. */
static int release(PyMemoryViewObject *v)
{
    if (v->flags & _Py_MEMORYVIEW_RELEASED) return 0;
    if (v->exports > 0) {
        PyErr_Format(PyExc_BufferError, "memoryview has %zd exported buffer%s", v->exports, v->exports == 1 ? "" : "s");
        return -1;
    }
    if (v->exports < 0) {
        PyErr_SetString(PyExc_SystemError, "memoryview: negative export count");
        return -1;
    }
    v->flags |= _Py_MEMORYVIEW_RELEASED;
    assert(v->mbuf->exports > 0);
    if (--v->mbuf->exports == 0) managed_release(v->mbuf);
    return 0;
}

static void memory_dealloc(PyObject *o)
{
    PyMemoryViewObject *v = VIEW(o);
    assert(v->exports == 0);
    PyObject_GC_UnTrack(o);
    if (v->mbuf) {
        (void)release(v);
        Py_CLEAR(v->mbuf);
    }
    if (v->weakreflist) PyObject_ClearWeakRefs(o);
    PyObject_GC_Del(o);
}

static int memory_traverse(PyObject *o, visitproc visit, void *arg)
{
    Py_VISIT(VIEW(o)->mbuf);
    return 0;
}

static int memory_clear(PyObject *o)
{
    PyMemoryViewObject *v = VIEW(o);
    if (v->exports == 0 && v->mbuf) {
        if (release(v) < 0) PyErr_Clear();
        Py_CLEAR(v->mbuf);
    }
    return 0;
}

/* ---- being an exporter ------------------------------------------------------------------------------------------------------------------------ */

static COLD int refuse(const char *why)
{
    PyErr_SetString(PyExc_BufferError, why);
    return -1;
}

static bool asks(int flags, int what) { return (flags & what) == what; }

static int memory_getbuffer(PyObject *o, Py_buffer *view, int flags)
{
    PyMemoryViewObject *v = VIEW(o);
    if (memoryview_check_unrestricted(v) < 0) return -1;
    *view = v->view;
    view->obj = NULL;
    if (asks(flags, PyBUF_WRITABLE) && view->readonly) return refuse("memoryview: underlying buffer is not writable");
    if (!asks(flags, PyBUF_FORMAT)) view->format = NULL;     /* items are bytes then, whatever itemsize says */
    if (asks(flags, PyBUF_C_CONTIGUOUS) && !(v->flags & _Py_MEMORYVIEW_C))
        return refuse("memoryview: underlying buffer is not C-contiguous");
    if (asks(flags, PyBUF_F_CONTIGUOUS) && !(v->flags & _Py_MEMORYVIEW_FORTRAN))
        return refuse("memoryview: underlying buffer is not Fortran contiguous");
    if (asks(flags, PyBUF_ANY_CONTIGUOUS) && !(v->flags & (_Py_MEMORYVIEW_C | _Py_MEMORYVIEW_FORTRAN)))
        return refuse("memoryview: underlying buffer is not contiguous");
    if (!asks(flags, PyBUF_INDIRECT) && (v->flags & _Py_MEMORYVIEW_PIL))
        return refuse("memoryview: underlying buffer requires suboffsets");
    if (!asks(flags, PyBUF_STRIDES)) {
        if (!(v->flags & _Py_MEMORYVIEW_C)) return refuse("memoryview: underlying buffer is not C-contiguous");
        view->strides = NULL;
    }
    if (!asks(flags, PyBUF_ND)) {
        if (view->format) return refuse("memoryview: cannot cast to unsigned bytes if the format flag is present");
        view->ndim = 1;
        view->shape = NULL;
    }
    view->obj = Py_NewRef(o);
    v->exports++;
    return 0;
}

static void memory_releasebuffer(PyObject *o, Py_buffer *Py_UNUSED(view)) { VIEW(o)->exports--; }

static PyBufferProcs memory_as_buffer = { memory_getbuffer, memory_releasebuffer };

/* ---- slots ---------------------------------------------------------------------------------------------------------------------------------------- */

SIGNATURE(memory_signature, "memoryview", KEYWORDS, "(object)");

static PyObject *memory_new(PyTypeObject *Py_UNUSED(type), PyObject *args, PyObject *kwargs)
{
    PyObject *arg[1];
    if (args_bind_tuple(&memory_signature, args, kwargs, arg) < 0) return NULL;
    return PyMemoryView_FromObject(arg[0]);
}

static PyObject *memory_repr(PyObject *o)
{
    return PyUnicode_FromFormat(VIEW(o)->flags & _Py_MEMORYVIEW_RELEASED ? "<released memory at %p>" : "<memory at %p>", o);
}

static Py_hash_t memory_hash(PyObject *o)
{
    PyMemoryViewObject *v = VIEW(o);
    const Py_buffer *view = &v->view;
    if (v->hash != -1) return v->hash;
    if (memoryview_check(v) < 0) return -1;
    if (!view->readonly) {
        PyErr_SetString(PyExc_ValueError, "cannot hash writable memoryview object");
        return -1;
    }
    char code;
    if (item_format(view->format, &code) != 1 || code == '?') {
        PyErr_SetString(PyExc_ValueError, "memoryview: hashing is restricted to formats 'B', 'b' or 'c'");
        return -1;
    }
    if (view->obj && PyObject_Hash(view->obj) == -1) return -1;       /* for its message */
    char *memory = view->buf;
    if (!(v->flags & _Py_MEMORYVIEW_C)) {
        if (!(memory = PyMem_Malloc(view->len ? (size_t)view->len : 1))) {
            PyErr_NoMemory();
            return -1;
        }
        PyBuffer_ToContiguous(memory, view, view->len, 'C');
    }
    v->hash = _Py_HashBytes(memory, view->len);
    if (memory != view->buf) PyMem_Free(memory);
    return v->hash;
}

static Py_ssize_t memory_length(PyObject *o)
{
    if (memoryview_check(VIEW(o)) < 0) return -1;
    if (VIEW(o)->view.ndim == 0) {
        PyErr_SetString(PyExc_TypeError, "0-dim memory has no length");
        return -1;
    }
    return VIEW(o)->view.shape[0];
}

static PyMappingMethods memory_as_mapping = { memory_length, memoryview_subscript, memoryview_assign };
static PySequenceMethods memory_as_sequence = { .sq_length = memory_length, .sq_item = memoryview_item };

/* ---- methods -------------------------------------------------------------------------------------------------------------------------------------- */

BUILTIN_NOARGS(memory, release, "($self, /)", "Give up the buffer. Nothing can be done with the memoryview afterwards.")
{
    if (release(VIEW(self)) < 0) return NULL;
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(memory, __enter__, "($self, /)", "")
{
    return memoryview_check(VIEW(self)) < 0 ? NULL : Py_NewRef(self);
}

BUILTIN_FAST(memory, __exit__, "($self, /, *exc_info)", "Release the buffer.")
{
    (void)args;
    (void)nargs;
    return memory_release(self, NULL);
}

BUILTIN(memory, tobytes, KEYWORDS, "($self, /, order='C')",
    "The items as bytes, in C order, Fortran order, or for 'A' the order of the memory.")
{
    if (memoryview_check(VIEW(self)) < 0) return NULL;
    char order = 'C';
    if (arg[0] && arg[0] != Py_None) {
        if (!PyUnicode_Check(arg[0])) {
            PyErr_Format(PyExc_TypeError, "tobytes() argument 'order' must be str or None, not %.50s", Py_TYPE(arg[0])->tp_name);
            return NULL;
        }
        const char *text = PyUnicode_AsUTF8(arg[0]);
        if (!text) return NULL;
        if (strcmp(text, "C") && strcmp(text, "F") && strcmp(text, "A")) {
            PyErr_SetString(PyExc_ValueError, "order must be 'C', 'F' or 'A'");
            return NULL;
        }
        order = *text;
    }
    const Py_buffer *view = &VIEW(self)->view;
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, view->len);
    if (!bytes) return NULL;
    if (view->len == 1) {                     /* one-byte strings are shared */
        char byte;
        PyBuffer_ToContiguous(&byte, view, 1, order);
        Py_SETREF(bytes, PyBytes_FromStringAndSize(&byte, 1));
    }
    else if (view->len) PyBuffer_ToContiguous(PyBytes_AS_STRING(bytes), view, view->len, order);
    return bytes;
}

BUILTIN(memory, hex, KEYWORDS, "($self, /, sep=<unrepresentable>, bytes_per_sep=1)",
    "Two hexadecimal digits a byte, with sep between groups of bytes_per_sep, counted from the right (negative: from the left).\n\n"
        ">>> value = memoryview(b'\\xc0\\xff\\xee')\n"
        ">>> value.hex()\n"
        "'c0ffee'\n"
        ">>> value.hex(':')\n"
        "'c0:ff:ee'\n"
        ">>> value.hex(':', 2)\n"
        "'c0:ffee'\n"
        ">>> value.hex(':', -2)\n"
        "'c0ff:ee'\n")
{
    int group = 1;
    if (arg[1]) {
        group = PyLong_AsInt(arg[1]);
        if (group == -1 && PyErr_Occurred()) return NULL;
    }
    if (memoryview_check(VIEW(self)) < 0) return NULL;
    const Py_buffer *view = &VIEW(self)->view;
    if (VIEW(self)->flags & _Py_MEMORYVIEW_C) return bytes_hex(view->buf, view->len, arg[0], group, false);
    char *memory = PyMem_Malloc(view->len ? (size_t)view->len : 1);
    if (!memory) return PyErr_NoMemory();
    PyBuffer_ToContiguous(memory, view, view->len, 'C');
    PyObject *text = bytes_hex(memory, view->len, arg[0], group, false);
    PyMem_Free(memory);
    return text;
}

BUILTIN_NOARGS(memory, tolist, "($self, /)", "The items as a list, of lists where there are several dimensions.")
{
    return memoryview_check(VIEW(self)) < 0 ? NULL : memoryview_to_list(VIEW(self));
}

BUILTIN(memory, cast, KEYWORDS, "($self, /, format, shape=<unrepresentable>)", "The same memory with another format or shape.")
{
    if (!PyUnicode_Check(arg[0])) {
        PyErr_Format(PyExc_TypeError, "cast() argument 'format' must be str, not %.50s", arg[0] == Py_None ? "None" : Py_TYPE(arg[0])->tp_name);
        return NULL;
    }
    return memoryview_check_unrestricted(VIEW(self)) < 0 ? NULL : memoryview_cast_to(VIEW(self), arg[0], arg[1]);
}

BUILTIN_NOARGS(memory, toreadonly, "($self, /)", "The same memory, read only.")
{
    if (memoryview_check_unrestricted(VIEW(self)) < 0) return NULL;
    PyObject *v = memoryview_another(VIEW(self)->mbuf, &VIEW(self)->view);
    if (v) VIEW(v)->view.readonly = 1;
    return v;
}

BUILTIN(memory, _from_flags, KEYWORDS, "($type, /, object, flags)", "A memoryview of object, asked for with these buffer flags.")
{
    int flags = PyLong_AsInt(arg[1]);
    if (flags == -1 && PyErr_Occurred()) return NULL;
    return memoryview_from_flags(arg[0], flags);
}

static PyMethodDef memory_methods[] = {
    METHOD(memory, release),
    METHOD(memory, tobytes),
    METHOD(memory, hex),
    METHOD(memory, tolist),
    METHOD(memory, cast),
    METHOD(memory, toreadonly),
    METHOD_CLASS(memory, _from_flags),
    METHOD(memory, __enter__),
    METHOD_BARE(memory, __exit__),
    {0},
};

/* ---- attributes ------------------------------------------------------------------------------------------------------------------------------------- */

static PyObject *tuple_of_sizes(int n, const Py_ssize_t *values)
{
    if (!values) return PyTuple_New(0);
    PyObject *tuple = PyTuple_New(n);
    for (int i = 0; tuple && i < n; i++) {
        PyObject *value = PyLong_FromSsize_t(values[i]);
        if (value) PyTuple_SET_ITEM(tuple, i, value);
        else Py_CLEAR(tuple);
    }
    return tuple;
}

enum Attribute { A_OBJ, A_NBYTES, A_READONLY, A_ITEMSIZE, A_FORMAT, A_NDIM, A_SHAPE, A_STRIDES, A_SUBOFFSETS, A_C, A_F, A_CONTIGUOUS };

static PyObject *memory_get(PyObject *o, void *which)
{
    PyMemoryViewObject *v = VIEW(o);
    const Py_buffer *view = &v->view;
    if (memoryview_check(v) < 0) return NULL;
    switch ((enum Attribute)(uintptr_t)which) {
    case A_OBJ: return Py_NewRef(view->obj ? view->obj : Py_None);
    case A_NBYTES: return PyLong_FromSsize_t(view->len);
    case A_READONLY: return PyBool_FromLong(view->readonly);
    case A_ITEMSIZE: return PyLong_FromSsize_t(view->itemsize);
    case A_FORMAT: return PyUnicode_FromString(view->format);
    case A_NDIM: return PyLong_FromLong(view->ndim);
    case A_SHAPE: return tuple_of_sizes(view->ndim, view->shape);
    case A_STRIDES: return tuple_of_sizes(view->ndim, view->strides);
    case A_SUBOFFSETS: return tuple_of_sizes(view->ndim, view->suboffsets);
    case A_C: return PyBool_FromLong(v->flags & _Py_MEMORYVIEW_C);
    case A_F: return PyBool_FromLong(v->flags & _Py_MEMORYVIEW_FORTRAN);
    default: return PyBool_FromLong(v->flags & (_Py_MEMORYVIEW_C | _Py_MEMORYVIEW_FORTRAN));
    }
}

#define ATTRIBUTE(name, which, text) { name, memory_get, NULL, text, (void *)(uintptr_t)(which) }
static PyGetSetDef memory_getset[] = {
    ATTRIBUTE("obj", A_OBJ, "The object whose memory it is."),
    ATTRIBUTE("nbytes", A_NBYTES, "Bytes that the items take when they are packed: what tobytes() gives."),
    ATTRIBUTE("readonly", A_READONLY, "Whether the memory is read only."),
    ATTRIBUTE("itemsize", A_ITEMSIZE, "Bytes of one item."),
    ATTRIBUTE("format", A_FORMAT, "The format of one item, as the struct module writes it."),
    ATTRIBUTE("ndim", A_NDIM, "The number of dimensions."),
    ATTRIBUTE("shape", A_SHAPE, "The number of items in each dimension."),
    ATTRIBUTE("strides", A_STRIDES, "Bytes from one item to the next in each dimension."),
    ATTRIBUTE("suboffsets", A_SUBOFFSETS, "What is added after a pointer is followed, in PIL-style arrays."),
    ATTRIBUTE("c_contiguous", A_C, "Whether the items lie in C order without gaps."),
    ATTRIBUTE("f_contiguous", A_F, "Whether the items lie in Fortran order without gaps."),
    ATTRIBUTE("contiguous", A_CONTIGUOUS, "Whether the items lie without gaps."),
    {0},
};

/* ---- iterator --------------------------------------------------------------------------------------------------------------------------------------- */

typedef struct MemoryIterator {
    PyObject_HEAD
    Py_ssize_t index, length;
    PyMemoryViewObject *view;                 /* NULL when exhausted */
    const char *format;
    char code;
} MemoryIterator;

static void iterator_dealloc(PyObject *o)
{
    PyObject_GC_UnTrack(o);
    Py_XDECREF(((MemoryIterator *)o)->view);
    PyObject_GC_Del(o);
}

static int iterator_traverse(PyObject *o, visitproc visit, void *arg)
{
    Py_VISIT(((MemoryIterator *)o)->view);
    return 0;
}

static PyObject *iterator_next(PyObject *o)
{
    MemoryIterator *it = (MemoryIterator *)o;
    PyMemoryViewObject *v = it->view;
    if (!v) return NULL;
    if (it->index < it->length) {
        if (memoryview_check(v) < 0) return NULL;
        char *p = memoryview_pointer(&v->view, v->view.buf, 0, it->index++);
        return p ? item_unpack(p, it->code, it->format) : NULL;
    }
    it->view = NULL;
    Py_DECREF(v);
    return NULL;
}

PyTypeObject memory_iterator_type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "memory_iterator",
    .tp_basicsize = sizeof(MemoryIterator),
    .tp_dealloc = iterator_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = iterator_traverse,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = iterator_next,
};

static PyObject *memory_iter(PyObject *o)
{
    PyMemoryViewObject *v = VIEW(o);
    if (memoryview_check(v) < 0) return NULL;
    if (v->view.ndim == 0) {
        PyErr_SetString(PyExc_TypeError, "invalid indexing of 0-dim memory");
        return NULL;
    }
    if (v->view.ndim != 1) {
        PyErr_SetString(PyExc_NotImplementedError, "multi-dimensional sub-views are not implemented");
        return NULL;
    }
    char code;
    if (item_format(v->view.format, &code) < 0) {
        PyErr_Format(PyExc_NotImplementedError, "memoryview: unsupported format %s", v->view.format);
        return NULL;
    }
    MemoryIterator *it = PyObject_GC_New(MemoryIterator, &memory_iterator_type);
    if (!it) return NULL;
    it->index = 0;
    it->length = v->view.shape[0];
    it->view = VIEW(Py_NewRef(o));
    it->format = v->view.format;
    it->code = code;
    PyObject_GC_Track(it);
    return OBJECT(it);
}

PyDoc_STRVAR(memory_doc, "memoryview(object)\n--\n\nA view of the memory of an object that offers the buffer protocol, without a copy.");

PyTypeObject PyMemoryView_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "memoryview",
    .tp_basicsize = offsetof(PyMemoryViewObject, ob_array),
    .tp_itemsize = sizeof(Py_ssize_t),
    .tp_dealloc = memory_dealloc,
    .tp_repr = memory_repr,
    .tp_as_sequence = &memory_as_sequence,
    .tp_as_mapping = &memory_as_mapping,
    .tp_hash = memory_hash,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_as_buffer = &memory_as_buffer,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_SEQUENCE,
    .tp_doc = memory_doc,
    .tp_traverse = memory_traverse,
    .tp_clear = memory_clear,
    .tp_richcompare = memoryview_richcompare,
    .tp_weaklistoffset = offsetof(PyMemoryViewObject, weakreflist),
    .tp_iter = memory_iter,
    .tp_methods = memory_methods,
    .tp_getset = memory_getset,
    .tp_new = memory_new,
};
