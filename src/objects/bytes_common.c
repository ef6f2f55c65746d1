/* What bytes and bytearray share and what does not depend on the type of the result: views of bytes-like objects, joining,
 * hexadecimal text, making bytes from anything. */
#include "objects/bytes_private.h"

const char *Py_hexdigits = "0123456789abcdef";

int view_get(View *v, PyObject *o)
{
    if (LIKELY(PyBytes_CheckExact(o))) {
        v->data = PyBytes_AS_STRING(o);
        v->length = PyBytes_GET_SIZE(o);
        v->buffer.obj = NULL;
        return 0;
    }
    if (PyObject_GetBuffer(o, &v->buffer, PyBUF_SIMPLE) < 0) {
        v->buffer.obj = NULL;
        return -1;
    }
    v->data = v->buffer.buf;
    v->length = v->buffer.len;
    return 0;
}

int byte_value(PyObject *o, unsigned char *value)
{
    int overflow;
    long n;
    if (LIKELY(PyLong_Check(o))) n = PyLong_AsLongAndOverflow(o, &overflow);
    else {
        PyObject *index = PyNumber_Index(o);
        if (!index) return -1;
        n = PyLong_AsLongAndOverflow(index, &overflow);
        Py_DECREF(index);
    }
    if (overflow || n < 0 || n > 255) {
        PyErr_SetString(PyExc_ValueError, "byte must be in range(0, 256)");
        return -1;
    }
    *value = (unsigned char)n;
    return 0;
}

int view_get_or_byte(View *v, PyObject *o, char *byte)
{
    if (PyObject_CheckBuffer(o)) return view_get(v, o);
    if (!PyIndex_Check(o)) {
        PyErr_Format(PyExc_TypeError, "argument should be integer or bytes-like object, not '%.200s'", Py_TYPE(o)->tp_name);
        return -1;
    }
    unsigned char value;
    if (byte_value(o, &value) < 0) return -1;
    *byte = (char)value;
    *v = (View){ .data = byte, .length = 1 };
    return 0;
}

/* ---- hexadecimal text ------------------------------------------------------------------------------------------------ */

static int hex_separator(PyObject *sep, bool as_bytes, char *c)
{
    Py_ssize_t n = PyObject_Length(sep);
    if (n < 0) return -1;
    if (n != 1) PyErr_SetString(PyExc_ValueError, "sep must be length 1.");
    else if (PyUnicode_Check(sep)) {
        Py_UCS4 ch = PyUnicode_READ_CHAR(sep, 0);
        if (ch < 128 || (as_bytes && ch < 256)) {
            *c = (char)ch;
            return 0;
        }
        PyErr_SetString(PyExc_ValueError, "sep must be ASCII.");
    }
    else if (PyBytes_Check(sep)) {
        *c = PyBytes_AS_STRING(sep)[0];
        if ((unsigned char)*c < 128 || as_bytes) return 0;
        PyErr_SetString(PyExc_ValueError, "sep must be ASCII.");
    }
    else PyErr_SetString(PyExc_TypeError, "sep must be str or bytes.");
    return -1;
}

PyObject *bytes_hex(const char *p, Py_ssize_t n, PyObject *sep, int group, bool as_bytes)
{
    char c = 0;
    Py_ssize_t size, each = group < 0 ? -(Py_ssize_t)group : group, gaps = 0;
    if (sep && hex_separator(sep, as_bytes, &c) < 0) return NULL;
    if (sep && each && n > 0) gaps = (n - 1) / each;
    if (n > (PY_SSIZE_T_MAX - gaps) / 2) return PyErr_NoMemory();
    size = n * 2 + gaps;
    PyObject *result = as_bytes ? PyBytes_FromStringAndSize(NULL, size) : PyUnicode_New(size, 127);
    if (!result || size == 0) return result;
    char *out = as_bytes ? PyBytes_AS_STRING(result) : DATA(result);
    Py_ssize_t until = !gaps ? n : group < 0 ? each : n - gaps * each;     /* bytes before the next separator */
    for (Py_ssize_t i = 0; i < n; i++) {
        if (until-- == 0) {
            *out++ = c;
            until = each - 1;
        }
        *out++ = Py_hexdigits[(unsigned char)p[i] >> 4];
        *out++ = Py_hexdigits[p[i] & 15];
    }
    return result;
}

static int hex_digit(Py_UCS4 c)
{
    return c >= '0' && c <= '9' ? (int)c - '0' : c >= 'a' && c <= 'f' ? (int)c - 'a' + 10 : c >= 'A' && c <= 'F' ? (int)c - 'A' + 10 : -1;
}

PyObject *bytes_from_hex(PyObject *s)
{
    Py_ssize_t n = LENGTH(s), at = 0, used = 0;
    int kind = KIND(s);
    const void *data = DATA(s);
    PyObject *bytes = bytes_alloc(n / 2 + 2);
    if (!bytes) return NULL;
    if (!PyUnicode_IS_ASCII(s)) {                           /* the first such character is to blame, whatever stands before */
        while (PyUnicode_READ(kind, data, at) < 128) at++;
        goto wrong;
    }
    char *out = PyBytes_AS_STRING(bytes);
    while (at < n) {
        Py_UCS4 c = PyUnicode_READ(kind, data, at);
        if (Py_ISSPACE(c)) {
            at++;
            continue;
        }
        int high = hex_digit(c);
        if (high < 0) goto wrong;
        int low = ++at < n ? hex_digit(PyUnicode_READ(kind, data, at)) : -1;
        if (low < 0) goto wrong;
        out[used++] = (char)(high << 4 | low);
        at++;
    }
    PyObject *result = PyBytes_FromStringAndSize(out, used);
    Py_DECREF(bytes);
    return result;
wrong:
    Py_DECREF(bytes);
    PyErr_Format(PyExc_ValueError, "non-hexadecimal number found in fromhex() arg at position %zd", at);
    return NULL;
}

/* ---- joining ------------------------------------------------------------------------------------------------------------ */

/* Buffers of up to STATIC_VIEWS items stand on the stack. */
enum { STATIC_VIEWS = 10 };

static Py_ssize_t join_size(PyObject *items, View *views, Py_ssize_t n, Py_ssize_t gap)
{
    Py_ssize_t size = 0;
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *item = PySequence_Fast_GET_ITEM(items, i);
        views[i].buffer.obj = NULL;
        if (PyBytes_CheckExact(item)) {                     /* a reference, because the sequence may be changed below us */
            views[i].data = PyBytes_AS_STRING(item);
            views[i].length = PyBytes_GET_SIZE(item);
        }
        else if (view_get(&views[i], item) < 0) {
            if (PyErr_ExceptionMatches(PyExc_BufferError) || PyErr_ExceptionMatches(PyExc_TypeError))
                PyErr_Format(PyExc_TypeError, "sequence item %zd: expected a bytes-like object, %.80s found", i, Py_TYPE(item)->tp_name);
            return -1;
        }
        Py_ssize_t add = views[i].length + (i ? gap : 0);
        if (add < 0 || add > PY_SSIZE_T_MAX - size) {
            PyErr_SetString(PyExc_OverflowError, "join() result is too long");
            return -1;
        }
        size += add;
        if (PySequence_Fast_GET_SIZE(items) != n) {
            PyErr_SetString(PyExc_RuntimeError, "sequence changed size during iteration");
            return -1;
        }
    }
    return size;
}

PyObject *bytes_join(const char *sep, Py_ssize_t gap, PyObject *iterable, bool as_bytearray)
{
    PyObject *items = PySequence_Fast(iterable, "can only join an iterable"), *result = NULL, *hold = NULL;
    View few[STATIC_VIEWS], *views = few;
    if (!items) return NULL;
    Py_ssize_t n = PySequence_Fast_GET_SIZE(items), size;
    if (n == 0) {
        result = as_bytearray ? PyByteArray_FromStringAndSize(NULL, 0) : EMPTY_BYTES;
        goto done;
    }
    if (n == 1 && !as_bytearray && PyBytes_CheckExact(PySequence_Fast_GET_ITEM(items, 0))) {
        result = Py_NewRef(PySequence_Fast_GET_ITEM(items, 0));
        goto done;
    }
    /* Taking a buffer can run code that changes a list: hold its items in a tuple of our own, unless all are plain bytes. */
    if (PyList_CheckExact(items)) {
        Py_ssize_t plain = 0;
        while (plain < n && PyBytes_CheckExact(PyList_GET_ITEM(items, plain))) plain++;
        if (plain < n) {
            if (!(hold = PyList_AsTuple(items))) goto done;
        }
    }
    if (n > STATIC_VIEWS && !(views = PyMem_New(View, n))) {
        PyErr_NoMemory();
        goto done;
    }
    memset(views, 0, (size_t)n * sizeof *views);
    if ((size = join_size(hold ? hold : items, views, n, gap)) >= 0) {
        if (hold && PySequence_Fast_GET_SIZE(items) != n) PyErr_SetString(PyExc_RuntimeError, "sequence changed size during iteration");
        else result = as_bytearray ? PyByteArray_FromStringAndSize(NULL, size) : PyBytes_FromStringAndSize(NULL, size);
    }
    if (result && size) {
        char *out = as_bytearray ? PyByteArray_AS_STRING(result) : PyBytes_AS_STRING(result);
        for (Py_ssize_t i = 0; i < n; i++) {
            if (i && gap) {
                memcpy(out, sep, (size_t)gap);
                out += gap;
            }
            memcpy(out, views[i].data, (size_t)views[i].length);
            out += views[i].length;
        }
    }
    for (Py_ssize_t i = 0; i < n; i++) view_release(&views[i]);
done:
    if (views != few) PyMem_Free(views);
    Py_XDECREF(hold);
    Py_DECREF(items);
    return result;
}

/* ---- making ------------------------------------------------------------------------------------------------------------- */

PyObject *bytes_special(PyObject *o)
{
    PyObject *method = _PyType_Lookup(Py_TYPE(o), STR(__bytes__)), *result;
    if (!method) return NULL;
    Py_INCREF(method);
    descrgetfunc get = Py_TYPE(method)->tp_descr_get;
    if (get) {
        PyObject *bound = get(method, o, (PyObject *)Py_TYPE(o));
        Py_DECREF(method);
        if (!bound) return NULL;
        method = bound;
    }
    result = PyObject_CallNoArgs(method);
    Py_DECREF(method);
    if (result && !PyBytes_Check(result)) {
        PyErr_Format(PyExc_TypeError, "__bytes__ returned non-bytes (type %.200s)", Py_TYPE(result)->tp_name);
        Py_CLEAR(result);
    }
    return result;
}

static int add_element(BytesBuilder *b, PyObject *item)
{
    Py_ssize_t value = PyNumber_AsSsize_t(item, NULL);
    if (value == -1 && PyErr_Occurred()) return -1;
    if (value < 0 || value > 255) {
        PyErr_SetString(PyExc_ValueError, "bytes must be in range(0, 256)");
        return -1;
    }
    return bytes_builder_byte(b, (char)value);
}

PyObject *bytes_from_iterable(PyObject *o)
{
    BytesBuilder b = { 0 };
    PyObject *it = NULL, *item;
    if (PyList_CheckExact(o) || PyTuple_CheckExact(o)) {    /* __index__ of an item may change the list */
        if (bytes_builder_init(&b, PySequence_Fast_GET_SIZE(o)) < 0) return NULL;
        for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(o); i++) {
            item = Py_NewRef(PySequence_Fast_GET_ITEM(o, i));
            int status = add_element(&b, item);
            Py_DECREF(item);
            if (status < 0) goto failed;
        }
        return bytes_builder_finish(&b);
    }
    if (!(it = PyObject_GetIter(o))) {
        if (PyErr_ExceptionMatches(PyExc_TypeError))
            PyErr_Format(PyExc_TypeError, "cannot convert '%.200s' object to bytes", Py_TYPE(o)->tp_name);
        return NULL;
    }
    Py_ssize_t hint = PyObject_LengthHint(o, 64);
    if (hint < 0 || bytes_builder_init(&b, hint) < 0) goto failed;
    while ((item = PyIter_Next(it))) {
        int status = add_element(&b, item);
        Py_DECREF(item);
        if (status < 0) goto failed;
    }
    if (PyErr_Occurred()) goto failed;
    Py_DECREF(it);
    return bytes_builder_finish(&b);
failed:
    Py_XDECREF(it);
    bytes_builder_clear(&b);
    return NULL;
}

/* ---- private names that compiled modules use ---------------------------------------------------------------------------- */

PyAPI_FUNC(Py_ssize_t) _PyBytes_Find(const char *haystack, Py_ssize_t n, const char *needle, Py_ssize_t m, Py_ssize_t offset);
PyAPI_FUNC(Py_ssize_t) _PyBytes_ReverseFind(const char *haystack, Py_ssize_t n, const char *needle, Py_ssize_t m, Py_ssize_t offset);

Py_ssize_t _PyBytes_Find(const char *haystack, Py_ssize_t n, const char *needle, Py_ssize_t m, Py_ssize_t offset)
{
    Py_ssize_t at = m == 0 ? 0 : chars_find(1, haystack, n, needle, m);
    return at < 0 ? -1 : at + offset;
}

Py_ssize_t _PyBytes_ReverseFind(const char *haystack, Py_ssize_t n, const char *needle, Py_ssize_t m, Py_ssize_t offset)
{
    Py_ssize_t at = m == 0 ? n : chars_rfind(1, haystack, n, needle, m);
    return at < 0 ? -1 : at + offset;
}
