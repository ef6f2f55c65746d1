/* bytearray: a resizable array of bytes.
 *
 * Invariant: ob_bytes is a block of ob_alloc bytes (NULL when 0), the contents begin at ob_start, somewhere in it, and are
 * followed by a zero byte that does not count. While ob_exports is not 0, some buffer points into the block: nothing that
 * resizes may happen, and every function here that ran foreign code looks at the array anew. Taking bytes off the front only
 * moves ob_start. */
#include "capi/args.h"
#include "objects/bytes_private.h"

char _PyByteArray_empty_string[] = "";

#define SELF ((PyByteArrayObject *)self)

static int can_resize(PyByteArrayObject *self)
{
    if (LIKELY(self->ob_exports == 0)) return 0;
    PyErr_SetString(PyExc_BufferError, "Existing exports of data: object cannot be re-sized");
    return -1;
}

/* ---- making and resizing ------------------------------------------------------------------------------------------------ */

PyObject *PyByteArray_FromStringAndSize(const char *p, Py_ssize_t n)
{
    if (n < 0) {
        PyErr_SetString(PyExc_SystemError, "Negative size passed to PyByteArray_FromStringAndSize");
        return NULL;
    }
    if (n == PY_SSIZE_T_MAX) return PyErr_NoMemory();
    PyByteArrayObject *self = PyObject_New(PyByteArrayObject, &PyByteArray_Type);
    if (!self) return NULL;
    self->ob_bytes = NULL;
    self->ob_alloc = 0;
    if (n > 0) {
        if (!(self->ob_bytes = PyMem_Malloc((size_t)n + 1))) {
            self->ob_start = NULL;
            self->ob_exports = 0;
            Py_SET_SIZE(self, 0);
            Py_DECREF(self);
            return PyErr_NoMemory();
        }
        self->ob_alloc = n + 1;
        if (p) memcpy(self->ob_bytes, p, (size_t)n);
        self->ob_bytes[n] = 0;
    }
    Py_SET_SIZE(self, n);
    self->ob_start = self->ob_bytes;
    self->ob_exports = 0;
    return OBJECT(self);
}

PyObject *PyByteArray_FromObject(PyObject *o) { return PyObject_CallOneArg((PyObject *)&PyByteArray_Type, o); }
Py_ssize_t PyByteArray_Size(PyObject *self) { return PyByteArray_GET_SIZE(self); }
char *PyByteArray_AsString(PyObject *self) { return PyByteArray_AS_STRING(self); }

int PyByteArray_Resize(PyObject *o, Py_ssize_t n)
{
    PyByteArrayObject *self = (PyByteArrayObject *)o;
    size_t alloc = (size_t)self->ob_alloc, front = (size_t)(self->ob_start - self->ob_bytes), size = (size_t)n;
    if (n < 0) {
        PyErr_Format(PyExc_ValueError, "Can only resize to positive sizes, got %zd", n);
        return -1;
    }
    if (n == Py_SIZE(self)) return 0;
    if (can_resize(self) < 0) return -1;
    if (size + front + 1 <= alloc) {
        if (size >= alloc / 2) {
            Py_SET_SIZE(self, n);
            self->ob_start[size] = 0;
            return 0;
        }
        alloc = size + 1;                                   /* much smaller: give memory back */
    }
    else if (size <= alloc + alloc / 8) alloc = size + (size >> 3) + (size < 9 ? 3 : 6);     /* growing slowly: room for more */
    else alloc = size + 1;
    if (alloc > PY_SSIZE_T_MAX) goto no_memory;
    char *block;
    if (front > 0) {
        if (!(block = PyMem_Malloc(alloc))) goto no_memory;
        memcpy(block, PyByteArray_AS_STRING(o), Py_MIN(size, (size_t)Py_SIZE(self)));
        PyMem_Free(self->ob_bytes);
    }
    else if (!(block = PyMem_Realloc(self->ob_bytes, alloc))) goto no_memory;
    self->ob_bytes = self->ob_start = block;
    Py_SET_SIZE(self, n);
    self->ob_alloc = (Py_ssize_t)alloc;
    self->ob_start[size] = 0;
    return 0;
no_memory:
    PyErr_NoMemory();
    return -1;
}

PyObject *PyByteArray_Concat(PyObject *a, PyObject *b)
{
    View va, vb;
    PyObject *result = NULL;
    va.buffer.obj = NULL;
    if (view_get(&va, a) < 0 || view_get(&vb, b) < 0) {
        PyErr_Format(PyExc_TypeError, "can't concat %.100s to %.100s", Py_TYPE(b)->tp_name, Py_TYPE(a)->tp_name);
        view_release(&va);
        return NULL;
    }
    if (va.length > PY_SSIZE_T_MAX - vb.length) PyErr_NoMemory();
    else if ((result = PyByteArray_FromStringAndSize(NULL, va.length + vb.length)) && va.length + vb.length) {
        char *p = PyByteArray_AS_STRING(result);
        memcpy(p, va.data, (size_t)va.length);
        memcpy(p + va.length, vb.data, (size_t)vb.length);
    }
    view_release(&va);
    view_release(&vb);
    return result;
}

/* ---- methods in common with bytes ----------------------------------------------------------------------------------------- */

#define RAW_DATA(o) PyByteArray_AS_STRING(o)
#define RAW_NEW(p, n) PyByteArray_FromStringAndSize(p, n)
#define RAW_SAME(o) PyByteArray_FromStringAndSize(PyByteArray_AS_STRING(o), PyByteArray_GET_SIZE(o))
#define RAW_IS_BYTEARRAY 1
#include "objects/bytes_methods.h"

/* ---- slices ----------------------------------------------------------------------------------------------------------------- */

/* Replaces [low, high) by n bytes at p, which do not lie in self. */
static int replace_range(PyObject *self, Py_ssize_t low, Py_ssize_t high, const char *p, Py_ssize_t n)
{
    Py_ssize_t size = PyByteArray_GET_SIZE(self), growth = n - (high - low);
    if (growth < 0) {
        if (can_resize(SELF) < 0) return -1;
        char *data = PyByteArray_AS_STRING(self);
        if (low == 0) {                                     /* off the front: nothing moves */
            SELF->ob_start -= growth;
        }
        else memmove(data + low + n, data + high, (size_t)(size - high));
        if (PyByteArray_Resize(self, size + growth) < 0) {
            /* shrinking a block failed: keep it as it is */
            if (!PyErr_ExceptionMatches(PyExc_MemoryError)) return -1;
            PyErr_Clear();
            Py_SET_SIZE(self, size + growth);
            PyByteArray_AS_STRING(self)[size + growth] = 0;
        }
    }
    else if (growth > 0) {
        if (size > PY_SSIZE_T_MAX - growth) {
            PyErr_NoMemory();
            return -1;
        }
        if (PyByteArray_Resize(self, size + growth) < 0) return -1;
        char *data = PyByteArray_AS_STRING(self);
        memmove(data + low + n, data + high, (size_t)(size - high));
    }
    if (n > 0) memcpy(PyByteArray_AS_STRING(self) + low, p, (size_t)n);
    return 0;
}

static int set_range(PyObject *self, Py_ssize_t low, Py_ssize_t high, PyObject *values)
{
    if (values == self) {
        PyObject *copy = RAW_SAME(self);
        if (!copy) return -1;
        int status = set_range(self, low, high, copy);
        Py_DECREF(copy);
        return status;
    }
    View v = { .data = "" };
    if (values && view_get(&v, values) < 0) {
        PyErr_Format(PyExc_TypeError, "can't set bytearray slice from %.100s", Py_TYPE(values)->tp_name);
        return -1;
    }
    Py_ssize_t size = PyByteArray_GET_SIZE(self);
    if (low < 0) low = 0;
    if (low > size) low = size;
    if (high < low) high = low;
    if (high > size) high = size;
    int status = replace_range(self, low, high, v.data, v.length);
    view_release(&v);
    return status;
}

static int delete_steps(PyObject *self, Py_ssize_t start, Py_ssize_t step, Py_ssize_t n)
{
    if (n == 0) return 0;
    if (can_resize(SELF) < 0) return -1;
    Py_ssize_t size = PyByteArray_GET_SIZE(self);
    if (step < 0) {
        start += step * (n - 1);
        step = -step;
    }
    char *p = PyByteArray_AS_STRING(self);
    Py_ssize_t to = start;
    for (Py_ssize_t i = 0; i < n; i++) {
        Py_ssize_t from = start + i * step + 1, next = i + 1 < n ? start + (i + 1) * step : size;
        memmove(p + to, p + from, (size_t)(next - from));
        to += next - from;
    }
    return PyByteArray_Resize(self, size - n);
}

static int set_item(PyObject *self, Py_ssize_t i, PyObject *value)
{
    unsigned char byte = 0;
    if (i < 0 || i >= PyByteArray_GET_SIZE(self)) {
        PyErr_SetString(PyExc_IndexError, "bytearray index out of range");
        return -1;
    }
    if (!value) return replace_range(self, i, i + 1, "", 0);
    if (byte_value(value, &byte) < 0) return -1;
    if (i >= PyByteArray_GET_SIZE(self)) {                  /* __index__ shortened the array */
        PyErr_SetString(PyExc_IndexError, "bytearray index out of range");
        return -1;
    }
    PyByteArray_AS_STRING(self)[i] = (char)byte;
    return 0;
}

static int set_slice(PyObject *self, PyObject *key, PyObject *values)
{
    Py_ssize_t start, stop, step, n;
    if (PySlice_Unpack(key, &start, &stop, &step) < 0) return -1;
    if (values && !PyByteArray_Check(values)) {
        if (PyLong_Check(values) || PyUnicode_Check(values)) {
            PyErr_SetString(PyExc_TypeError, "can assign only bytes, buffers, or iterables of ints in range(0, 256)");
            return -1;
        }
        PyObject *array = PyByteArray_FromObject(values);
        if (!array) return -1;
        int status = set_slice(self, key, array);
        Py_DECREF(array);
        return status;
    }
    n = PySlice_AdjustIndices(PyByteArray_GET_SIZE(self), &start, &stop, step);
    if (step == 1) return set_range(self, start, stop < start ? start : stop, values);
    Py_ssize_t need = values ? PyByteArray_GET_SIZE(values) : 0;
    if (need == 0) return delete_steps(self, start, step, n);
    if (need != n) {
        PyErr_Format(PyExc_ValueError, "attempt to assign bytes of size %zd to extended slice of size %zd", need, n);
        return -1;
    }
    PyObject *copy = values == self ? RAW_SAME(self) : Py_NewRef(values);
    if (!copy) return -1;
    char *to = PyByteArray_AS_STRING(self);                /* out of the loop: a char may alias what points to it */
    const char *from = PyByteArray_AS_STRING(copy);
    for (Py_ssize_t i = 0, at = start; i < n; i++, at += step) to[at] = from[i];
    Py_DECREF(copy);
    return 0;
}

static int bytearray_ass_subscript(PyObject *self, PyObject *key, PyObject *value)
{
    if (PyIndex_Check(key)) {
        Py_ssize_t i = PyNumber_AsSsize_t(key, PyExc_IndexError);
        if (i == -1 && PyErr_Occurred()) return -1;
        return set_item(self, i < 0 ? i + PyByteArray_GET_SIZE(self) : i, value);
    }
    if (PySlice_Check(key)) return set_slice(self, key, value);
    PyErr_Format(PyExc_TypeError, "bytearray indices must be integers or slices, not %.200s", Py_TYPE(key)->tp_name);
    return -1;
}

static PyObject *bytearray_item(PyObject *self, Py_ssize_t i)
{
    if (LIKELY((size_t)i < (size_t)PyByteArray_GET_SIZE(self))) return SMALL_INT((unsigned char)PyByteArray_AS_STRING(self)[i]);
    PyErr_SetString(PyExc_IndexError, "bytearray index out of range");
    return NULL;
}

static PyObject *bytearray_subscript(PyObject *self, PyObject *key)
{
    if (PyIndex_Check(key)) {
        Py_ssize_t i = PyNumber_AsSsize_t(key, PyExc_IndexError);
        if (i == -1 && PyErr_Occurred()) return NULL;
        return bytearray_item(self, i < 0 ? i + PyByteArray_GET_SIZE(self) : i);
    }
    if (PySlice_Check(key)) {
        Py_ssize_t start, stop, step;
        if (PySlice_Unpack(key, &start, &stop, &step) < 0) return NULL;
        Py_ssize_t n = PySlice_AdjustIndices(PyByteArray_GET_SIZE(self), &start, &stop, step);
        if (n <= 0) return PyByteArray_FromStringAndSize(NULL, 0);
        if (step == 1) return PyByteArray_FromStringAndSize(PyByteArray_AS_STRING(self) + start, n);
        PyObject *result = PyByteArray_FromStringAndSize(NULL, n);
        if (!result) return NULL;
        char *out = PyByteArray_AS_STRING(result), *p = PyByteArray_AS_STRING(self);
        for (Py_ssize_t i = 0, at = start; i < n; i++, at += step) out[i] = p[at];
        return result;
    }
    PyErr_Format(PyExc_TypeError, "bytearray indices must be integers or slices, not %.200s", Py_TYPE(key)->tp_name);
    return NULL;
}

/* ---- sequence -------------------------------------------------------------------------------------------------------------------- */

static Py_ssize_t bytearray_length(PyObject *self) { return PyByteArray_GET_SIZE(self); }

static void repeat_into(char *p, const char *from, size_t n, size_t all)
{
    if (n == 1) {
        memset(p, *from, all);
        return;
    }
    if (p != from) memcpy(p, from, n);
    for (size_t step; n < all; n += step) memcpy(p + n, p, step = n < all - n ? n : all - n);
}

static PyObject *bytearray_repeat(PyObject *self, Py_ssize_t times)
{
    Py_ssize_t n = PyByteArray_GET_SIZE(self);
    if (times < 0) times = 0;
    if (n && times > PY_SSIZE_T_MAX / n) return PyErr_NoMemory();
    PyObject *result = PyByteArray_FromStringAndSize(NULL, n * times);
    if (result && n && times) repeat_into(PyByteArray_AS_STRING(result), PyByteArray_AS_STRING(self), (size_t)n, (size_t)(n * times));
    return result;
}

static PyObject *bytearray_inplace_repeat(PyObject *self, Py_ssize_t times)
{
    Py_ssize_t n = PyByteArray_GET_SIZE(self);
    if (times < 0) times = 0;
    else if (times == 1) return Py_NewRef(self);
    if (n && times > PY_SSIZE_T_MAX / n) return PyErr_NoMemory();
    if (PyByteArray_Resize(self, n * times) < 0) return NULL;
    if (n * times) repeat_into(PyByteArray_AS_STRING(self), PyByteArray_AS_STRING(self), (size_t)n, (size_t)(n * times));
    return Py_NewRef(self);
}

static PyObject *bytearray_inplace_concat(PyObject *self, PyObject *other)
{
    View v;
    Py_ssize_t n = PyByteArray_GET_SIZE(self);
    if (other == self) return bytearray_inplace_repeat(self, 2);
    if (view_get(&v, other) < 0) {
        PyErr_Format(PyExc_TypeError, "can't concat %.100s to %.100s", Py_TYPE(other)->tp_name, Py_TYPE(self)->tp_name);
        return NULL;
    }
    n = PyByteArray_GET_SIZE(self);
    if (n > PY_SSIZE_T_MAX - v.length) PyErr_NoMemory();
    else if (PyByteArray_Resize(self, n + v.length) == 0) {
        memcpy(PyByteArray_AS_STRING(self) + n, v.data, (size_t)v.length);
        view_release(&v);
        return Py_NewRef(self);
    }
    view_release(&v);
    return NULL;
}

static int append_byte(PyObject *self, unsigned char byte)
{
    Py_ssize_t n = PyByteArray_GET_SIZE(self);
    if (n == PY_SSIZE_T_MAX) {
        PyErr_SetString(PyExc_OverflowError, "cannot add more objects to bytearray");
        return -1;
    }
    if (PyByteArray_Resize(self, n + 1) < 0) return -1;
    PyByteArray_AS_STRING(self)[n] = (char)byte;
    return 0;
}

BUILTIN_O(bytearray, append, "($self, item, /)", "Puts one byte, an integer, at the end.")
{
    unsigned char byte;
    if (byte_value(arg, &byte) < 0 || append_byte(self, byte) < 0) return NULL;
    Py_RETURN_NONE;
}

BUILTIN_O(bytearray, extend, "($self, iterable_of_ints, /)", "Puts the bytes of a buffer or the integers of an iterable at the end.")
{
    if (PyObject_CheckBuffer(arg)) {
        if (set_range(self, PyByteArray_GET_SIZE(self), PyByteArray_GET_SIZE(self), arg) < 0) return NULL;
        Py_RETURN_NONE;
    }
    if (PyUnicode_Check(arg)) {
        PyErr_Format(PyExc_TypeError, "expected iterable of integers; got: 'str'");
        return NULL;
    }
    PyObject *it = PyObject_GetIter(arg), *item;
    if (!it) {
        if (PyErr_ExceptionMatches(PyExc_TypeError)) PyErr_Format(PyExc_TypeError, "can't extend bytearray with %.100s", Py_TYPE(arg)->tp_name);
        return NULL;
    }
    BytesBuilder b = { 0 };
    Py_ssize_t hint = PyObject_LengthHint(arg, 32);
    int status = hint < 0 ? -1 : bytes_builder_init(&b, hint);
    while (status == 0 && (item = PyIter_Next(it))) {
        unsigned char byte;
        status = byte_value(item, &byte);
        Py_DECREF(item);
        if (status == 0) status = bytes_builder_byte(&b, (char)byte);
    }
    Py_DECREF(it);
    if (status == 0 && PyErr_Occurred()) status = -1;
    if (status == 0) status = replace_range(self, PyByteArray_GET_SIZE(self), PyByteArray_GET_SIZE(self), b.data, b.used);
    bytes_builder_clear(&b);
    if (status < 0) return NULL;
    Py_RETURN_NONE;
}

BUILTIN(bytearray, insert, POSITIONAL, "($self, index, item, /)", "Puts one byte, an integer, before index.")
{
    Py_ssize_t at, n;
    unsigned char byte;
    if (text_ssize_arg(arg[0], &at) < 0 || byte_value(arg[1], &byte) < 0) return NULL;
    if (append_byte(self, byte) < 0) return NULL;
    n = PyByteArray_GET_SIZE(self) - 1;
    if (at < 0 && (at += n) < 0) at = 0;
    if (at > n) at = n;
    char *p = PyByteArray_AS_STRING(self);
    memmove(p + at + 1, p + at, (size_t)(n - at));
    p[at] = (char)byte;
    Py_RETURN_NONE;
}

BUILTIN(bytearray, pop, POSITIONAL, "($self, index=-1, /)", "Takes out and returns the byte at index; IndexError when there is none.")
{
    Py_ssize_t at = -1, n;
    if (arg[0] && text_ssize_arg(arg[0], &at) < 0) return NULL;
    n = PyByteArray_GET_SIZE(self);
    if (n == 0) {
        PyErr_SetString(PyExc_IndexError, "pop from empty bytearray");
        return NULL;
    }
    if (at < 0) at += n;
    if (at < 0 || at >= n) {
        PyErr_SetString(PyExc_IndexError, "pop index out of range");
        return NULL;
    }
    unsigned char byte = (unsigned char)PyByteArray_AS_STRING(self)[at];
    return replace_range(self, at, at + 1, "", 0) < 0 ? NULL : SMALL_INT(byte);
}

BUILTIN_O(bytearray, remove, "($self, value, /)", "Takes out the first byte that is value; ValueError when there is none.")
{
    unsigned char byte;
    if (byte_value(arg, &byte) < 0) return NULL;
    Py_ssize_t at = chars_find_char(1, PyByteArray_AS_STRING(self), PyByteArray_GET_SIZE(self), byte);
    if (at < 0) {
        PyErr_SetString(PyExc_ValueError, "value not found in bytearray");
        return NULL;
    }
    if (replace_range(self, at, at + 1, "", 0) < 0) return NULL;
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(bytearray, reverse, "($self, /)", "Reverses the order of the bytes in place.")
{
    char *p = PyByteArray_AS_STRING(self);
    for (Py_ssize_t i = 0, j = PyByteArray_GET_SIZE(self) - 1; i < j; i++, j--) {
        char c = p[i];
        p[i] = p[j];
        p[j] = c;
    }
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(bytearray, clear, "($self, /)", "Takes out all bytes.")
{
    if (PyByteArray_Resize(self, 0) < 0) return NULL;
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(bytearray, copy, "($self, /)", "A copy.") { return RAW_SAME(self); }
BUILTIN_NOARGS(bytearray, __alloc__, "($self, /)", "How many bytes are allocated.") { return PyLong_FromSsize_t(SELF->ob_alloc); }

BUILTIN_NOARGS(bytearray, __sizeof__, "($self, /)", "Bytes of memory that the array takes.")
{
    return PyLong_FromSsize_t(Py_TYPE(self)->tp_basicsize + SELF->ob_alloc);
}

static PyObject *reduce(PyObject *self, int protocol)
{
    PyObject *state = PyObject_CallMethod(self, "__getstate__", NULL), *text = NULL;
    const char *p = PyByteArray_AS_STRING(self);
    Py_ssize_t n = PyByteArray_GET_SIZE(self);
    if (!state) return NULL;
    if (n == 0) return Py_BuildValue("O()N", Py_TYPE(self), state);
    if (protocol >= 3) return Py_BuildValue("O(y#)N", Py_TYPE(self), p, n, state);
    if (!(text = PyUnicode_DecodeLatin1(p, n, NULL))) {
        Py_DECREF(state);
        return NULL;
    }
    return Py_BuildValue("O(Ns)N", Py_TYPE(self), text, "latin-1", state);
}

BUILTIN_NOARGS(bytearray, __reduce__, "($self, /)", "State for pickling.") { return reduce(self, 2); }

BUILTIN(bytearray, __reduce_ex__, POSITIONAL, "($self, proto=0, /)", "State for pickling with a protocol.")
{
    int protocol = 0;
    if (arg[0] && text_int_arg(arg[0], &protocol) < 0) return NULL;
    return reduce(self, protocol);
}

static PyMethodDef bytearray_methods[] = {
    RAW_METHODS, METHOD(bytearray, append), METHOD(bytearray, extend), METHOD(bytearray, insert), METHOD(bytearray, pop),
    METHOD(bytearray, remove), METHOD(bytearray, reverse), METHOD(bytearray, clear), METHOD(bytearray, copy),
    METHOD(bytearray, __alloc__), METHOD(bytearray, __sizeof__), METHOD(bytearray, __reduce__), METHOD(bytearray, __reduce_ex__), { 0 },
};

/* ---- creation ------------------------------------------------------------------------------------------------------------------------ */

static PyObject *bytearray_new(PyTypeObject *type, PyObject *Py_UNUSED(args), PyObject *Py_UNUSED(kwargs))
{
    return type->tp_alloc(type, 0);
}

static int fill_from_encoded(PyObject *self, PyObject *x, const char *encoding, const char *errors)
{
    if (!encoding) {
        PyErr_SetString(PyExc_TypeError, "string argument without an encoding");
        return -1;
    }
    PyObject *encoded = PyUnicode_AsEncodedString(x, encoding, errors);
    if (!encoded) return -1;
    int status = replace_range(self, 0, PyByteArray_GET_SIZE(self), PyBytes_AS_STRING(encoded), PyBytes_GET_SIZE(encoded));
    Py_DECREF(encoded);
    return status;
}

static int fill_from_iterable(PyObject *self, PyObject *x)
{
    PyObject *it = PyObject_GetIter(x), *item;
    if (!it) {
        if (PyErr_ExceptionMatches(PyExc_TypeError)) PyErr_Format(PyExc_TypeError, "cannot convert '%.200s' object to bytearray", Py_TYPE(x)->tp_name);
        return -1;
    }
    int status = 0;
    while (status == 0 && (item = PyIter_Next(it))) {
        unsigned char byte;
        status = byte_value(item, &byte);
        Py_DECREF(item);
        if (status == 0) status = append_byte(self, byte);
    }
    Py_DECREF(it);
    return status < 0 || PyErr_Occurred() ? -1 : 0;
}

SIGNATURE(bytearray_init_signature, "bytearray", KEYWORDS, "(source=b'', encoding='utf-8', errors='strict')");

static int bytearray_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    PyObject *arg[3], *x;
    const char *encoding = NULL, *errors = NULL;
    if (args_bind_tuple(&bytearray_init_signature, args, kwargs, arg) < 0) return -1;
    if (arg[1] && !(encoding = text_codec_arg("bytearray", "argument 'encoding'", arg[1]))) return -1;
    if (arg[2] && !(errors = text_codec_arg("bytearray", "argument 'errors'", arg[2]))) return -1;
    if (PyByteArray_GET_SIZE(self) != 0 && PyByteArray_Resize(self, 0) < 0) return -1;
    if (!(x = arg[0]) || ((encoding || errors) && !PyUnicode_Check(x))) {
        if (!encoding && !errors) return 0;
        PyErr_SetString(PyExc_TypeError, encoding ? "encoding without a string argument" : "errors without a string argument");
        return -1;
    }
    if (PyUnicode_Check(x)) return fill_from_encoded(self, x, encoding, errors);
    if (PyIndex_Check(x)) {
        Py_ssize_t n = PyNumber_AsSsize_t(x, PyExc_OverflowError);
        if (n == -1 && PyErr_Occurred()) {
            if (!PyErr_ExceptionMatches(PyExc_TypeError)) return -1;
            PyErr_Clear();                                  /* __index__ does not work: perhaps a buffer or an iterable */
        }
        else {
            if (n < 0) {
                PyErr_SetString(PyExc_ValueError, "negative count");
                return -1;
            }
            if (n > 0) {
                if (PyByteArray_Resize(self, n) < 0) return -1;
                memset(PyByteArray_AS_STRING(self), 0, (size_t)n);
            }
            return 0;
        }
    }
    if (PyObject_CheckBuffer(x)) {
        Py_buffer view;
        if (PyObject_GetBuffer(x, &view, PyBUF_FULL_RO) < 0) return -1;
        int status = PyByteArray_Resize(self, view.len);
        if (status == 0 && view.len) status = PyBuffer_ToContiguous(PyByteArray_AS_STRING(self), &view, view.len, 'C');
        PyBuffer_Release(&view);
        return status;
    }
    return fill_from_iterable(self, x);
}

static void bytearray_dealloc(PyObject *self)
{
    if (SELF->ob_exports > 0) {
        PyErr_SetString(PyExc_SystemError, "deallocated bytearray object has exported buffers");
        PyErr_Print();
    }
    if (SELF->ob_bytes) PyMem_Free(SELF->ob_bytes);
    Py_TYPE(self)->tp_free(self);
}

/* ---- slots ---------------------------------------------------------------------------------------------------------------------------- */

static PyObject *bytearray_repr(PyObject *self)
{
    PyObject *bytes = bytes_alloc(PyByteArray_GET_SIZE(self)), *text, *result = NULL;
    if (!bytes) return NULL;
    memcpy(PyBytes_AS_STRING(bytes), PyByteArray_AS_STRING(self), (size_t)PyByteArray_GET_SIZE(self));
    const char *name = strrchr(Py_TYPE(self)->tp_name, '.');
    if ((text = PyBytes_Repr(bytes, 1))) result = PyUnicode_FromFormat("%s(%U)", name ? name + 1 : Py_TYPE(self)->tp_name, text);
    Py_XDECREF(text);
    Py_DECREF(bytes);
    return result;
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
static PyObject *bytearray_str(PyObject *self)
{
    if (Py_BytesWarningFlag && PyErr_WarnEx(PyExc_BytesWarning, "str() on a bytearray instance", 1) < 0) return NULL;
    return bytearray_repr(self);
}

static PyObject *bytearray_richcompare(PyObject *a, PyObject *b, int op)
{
    View va, vb;
    if (!PyObject_CheckBuffer(a) || !PyObject_CheckBuffer(b)) {
        if (Py_BytesWarningFlag && (op == Py_EQ || op == Py_NE) && (PyUnicode_Check(a) || PyUnicode_Check(b)) &&
            PyErr_WarnEx(PyExc_BytesWarning, "Comparison between bytearray and string", 1) < 0) return NULL;
        Py_RETURN_NOTIMPLEMENTED;
    }
    if (view_get(&va, a) < 0) {
        PyErr_Clear();
        Py_RETURN_NOTIMPLEMENTED;
    }
    if (view_get(&vb, b) < 0) {
        PyErr_Clear();
        view_release(&va);
        Py_RETURN_NOTIMPLEMENTED;
    }
    Py_ssize_t n = va.length, m = vb.length;
    int c = n != m && (op == Py_EQ || op == Py_NE) ? 1 : memcmp(va.data, vb.data, (size_t)(n < m ? n : m));
    if (c == 0) c = n < m ? -1 : n > m;
    view_release(&va);
    view_release(&vb);
    Py_RETURN_RICHCOMPARE(c, 0, op);
}
#pragma GCC diagnostic pop

static int bytearray_getbuffer(PyObject *self, Py_buffer *view, int flags)
{
    if (!view) {
        PyErr_SetString(PyExc_BufferError, "bytearray_getbuffer: view==NULL argument is obsolete");
        return -1;
    }
    if (PyBuffer_FillInfo(view, self, PyByteArray_AS_STRING(self), PyByteArray_GET_SIZE(self), 0, flags) < 0) return -1;
    SELF->ob_exports++;
    return 0;
}

static void bytearray_releasebuffer(PyObject *self, Py_buffer *Py_UNUSED(view)) { SELF->ob_exports--; }

static PyObject *bytearray_mod(PyObject *left, PyObject *right)
{
    if (!PyByteArray_Check(left)) Py_RETURN_NOTIMPLEMENTED;
    PyByteArrayObject *self = (PyByteArrayObject *)left;
    self->ob_exports++;                                     /* arguments' methods must not resize the format */
    PyObject *result = bytes_percent(PyByteArray_AS_STRING(left), PyByteArray_GET_SIZE(left), right, true);
    self->ob_exports--;
    return result;
}

static PyObject *bytearray_iter(PyObject *self);

static PyNumberMethods bytearray_as_number = { .nb_remainder = bytearray_mod };

static PySequenceMethods bytearray_as_sequence = {
    .sq_length = bytearray_length, .sq_concat = PyByteArray_Concat, .sq_repeat = bytearray_repeat, .sq_item = bytearray_item,
    .sq_ass_item = set_item, .sq_contains = raw_contains, .sq_inplace_concat = bytearray_inplace_concat,
    .sq_inplace_repeat = bytearray_inplace_repeat,
};

static PyMappingMethods bytearray_as_mapping = {
    .mp_length = bytearray_length, .mp_subscript = bytearray_subscript, .mp_ass_subscript = bytearray_ass_subscript,
};

static PyBufferProcs bytearray_as_buffer = { .bf_getbuffer = bytearray_getbuffer, .bf_releasebuffer = bytearray_releasebuffer };

PyTypeObject PyByteArray_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "bytearray",
    .tp_doc = "bytearray(iterable_of_ints) -> bytearray\n"
              "bytearray(string, encoding[, errors]) -> bytearray\n"
              "bytearray(bytes_or_buffer) -> mutable copy of bytes_or_buffer\n"
              "bytearray(int) -> bytes array of size given by the parameter initialized with null bytes\n"
              "bytearray() -> empty bytes array\n\nA mutable array of bytes.",
    .tp_basicsize = sizeof(PyByteArrayObject),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | _Py_TPFLAGS_MATCH_SELF,
    .tp_dealloc = bytearray_dealloc,
    .tp_repr = bytearray_repr,
    .tp_as_number = &bytearray_as_number,
    .tp_as_sequence = &bytearray_as_sequence,
    .tp_as_mapping = &bytearray_as_mapping,
    .tp_as_buffer = &bytearray_as_buffer,
    .tp_hash = PyObject_HashNotImplemented,
    .tp_str = bytearray_str,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_richcompare = bytearray_richcompare,
    .tp_iter = bytearray_iter,
    .tp_methods = bytearray_methods,
    .tp_base = &PyBaseObject_Type,
    .tp_init = bytearray_init,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = bytearray_new,
    .tp_free = PyObject_Free,
};

/* ---- iterator ------------------------------------------------------------------------------------------------------------------------ */

typedef struct ByteArrayIterator {
    PyObject_HEAD
    Py_ssize_t index;
    PyObject *array;                                        /* NULL once exhausted */
} ByteArrayIterator;

static PyObject *bytearray_iter(PyObject *self)
{
    ByteArrayIterator *it = PyObject_GC_New(ByteArrayIterator, &PyByteArrayIter_Type);
    if (!it) return NULL;
    it->index = 0;
    it->array = Py_NewRef(self);
    PyObject_GC_Track(it);
    return OBJECT(it);
}

static void bytearray_iterator_dealloc(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    Py_XDECREF(((ByteArrayIterator *)self)->array);
    PyObject_GC_Del(self);
}

static int bytearray_iterator_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(((ByteArrayIterator *)self)->array);
    return 0;
}

static PyObject *bytearray_iterator_next(PyObject *self)
{
    ByteArrayIterator *it = (ByteArrayIterator *)self;
    PyObject *array = it->array;
    if (!array) return NULL;
    if (it->index < PyByteArray_GET_SIZE(array)) return SMALL_INT((unsigned char)PyByteArray_AS_STRING(array)[it->index++]);
    it->array = NULL;
    Py_DECREF(array);
    return NULL;
}

BUILTIN_NOARGS(bytearray_iterator, __length_hint__, "($self, /)", "How many bytes are still to come.")
{
    ByteArrayIterator *it = (ByteArrayIterator *)self;
    Py_ssize_t n = it->array ? PyByteArray_GET_SIZE(it->array) - it->index : 0;
    return PyLong_FromSsize_t(n < 0 ? 0 : n);
}

BUILTIN_NOARGS(bytearray_iterator, __reduce__, "($self, /)", "State for pickling.")
{
    PyObject *builtins = PyEval_GetBuiltins(), *iter = builtins ? PyMapping_GetItemString(builtins, "iter") : NULL;
    ByteArrayIterator *it = (ByteArrayIterator *)self;
    if (!iter) return NULL;
    if (it->array) return Py_BuildValue("N(O)n", iter, it->array, it->index);
    return Py_BuildValue("N(())", iter);
}

BUILTIN_O(bytearray_iterator, __setstate__, "($self, state, /)", "Sets the position, as pickling saved it.")
{
    ByteArrayIterator *it = (ByteArrayIterator *)self;
    Py_ssize_t index = PyLong_AsSsize_t(arg);
    if (index == -1 && PyErr_Occurred()) return NULL;
    if (it->array) it->index = index < 0 ? 0 : index > PyByteArray_GET_SIZE(it->array) ? PyByteArray_GET_SIZE(it->array) : index;
    Py_RETURN_NONE;
}

static PyMethodDef bytearray_iterator_methods[] = {
    METHOD(bytearray_iterator, __length_hint__), METHOD(bytearray_iterator, __reduce__), METHOD(bytearray_iterator, __setstate__), { 0 },
};

PyTypeObject PyByteArrayIter_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "bytearray_iterator",
    .tp_basicsize = sizeof(ByteArrayIterator),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_dealloc = bytearray_iterator_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_traverse = bytearray_iterator_traverse,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = bytearray_iterator_next,
    .tp_methods = bytearray_iterator_methods,
};
