/* Writing the marshal format.
 *
 * An object is entered into the table of references when its reference count is above one, an interned str always: that is what
 * makes the bytes equal to CPython's, and why nothing here may hold a reference to an object before it is looked at. */
#include "compile/marshal_private.h"


#include <marshal.h>
#include <string.h>

typedef struct RefEntry { PyObject *object; int number; } RefEntry;

typedef enum WriteError { WRITE_OK, WRITE_UNMARSHALLABLE, WRITE_TOO_DEEP, WRITE_NO_MEMORY, WRITE_CODE_NOT_ALLOWED, WRITE_RAISED } WriteError;

typedef struct Writer {
    char *data;
    size_t size, capacity;
    int depth, version, allow_code;
    int held;                                 /* references to the next object that are the writer's own */
    WriteError error;
    RefEntry *refs;                           /* open addressing, by address; owns the objects */
    size_t ref_mask, ref_count;
    PyObject **set_keys;                      /* where set_key() remembers; shared by the writers of the keys */
} Writer;

static bool reserve(Writer *w, size_t n)
{
    if (w->capacity - w->size >= n) return true;
    size_t capacity = w->capacity ? w->capacity * 2 : 256;
    while (capacity - w->size < n) capacity *= 2;
    char *data = PyMem_RawRealloc(w->data, capacity);
    if (!data) {
        w->error = WRITE_NO_MEMORY;
        return false;
    }
    w->data = data;
    w->capacity = capacity;
    return true;
}

static void put_bytes(Writer *w, const void *bytes, size_t n)
{
    if (!n || !reserve(w, n)) return;
    memcpy(w->data + w->size, bytes, n);
    w->size += n;
}

static inline void put_byte(Writer *w, int byte)
{
    if (w->size == w->capacity && !reserve(w, 1)) return;
    w->data[w->size++] = (char)byte;
}

static void put_short(Writer *w, int value)
{
    put_byte(w, value & 0xff);
    put_byte(w, value >> 8 & 0xff);
}

static void put_long(Writer *w, long value)
{
    for (int shift = 0; shift < 32; shift += 8) put_byte(w, (int)(value >> shift & 0xff));
}

static bool put_size(Writer *w, Py_ssize_t n)
{
    if (n > INT32_MAX) {
        w->error = WRITE_UNMARSHALLABLE;
        return false;
    }
    put_long(w, (long)n);
    return true;
}

static void put_string(Writer *w, const char *s, Py_ssize_t n)
{
    if (put_size(w, n)) put_bytes(w, s, (size_t)n);
}

/* ---- references ------------------------------------------------------------------------------------------------------------ */

static size_t ref_hash(PyObject *o) { return (size_t)(((uintptr_t)o >> 4) * 0x9E3779B97F4A7C15ull >> 24); }

static bool refs_grow(Writer *w)
{
    size_t size = w->refs ? (w->ref_mask + 1) * 2 : 64;
    RefEntry *refs = PyMem_RawCalloc(size, sizeof *refs);
    if (!refs) {
        w->error = WRITE_NO_MEMORY;
        return false;
    }
    for (size_t i = 0; w->refs && i <= w->ref_mask; i++) {
        if (!w->refs[i].object) continue;
        size_t at = ref_hash(w->refs[i].object) & (size - 1);
        while (refs[at].object) at = (at + 1) & (size - 1);
        refs[at] = w->refs[i];
    }
    PyMem_RawFree(w->refs);
    w->refs = refs;
    w->ref_mask = size - 1;
    return true;
}

/* True when a reference to an earlier object was written and nothing is left to do. Otherwise *flag is what to add to the type. */
static bool put_reference(Writer *w, PyObject *o, int *flag)
{
    Py_ssize_t alone = 1 + w->held;
    w->held = 0;
    if (w->version < 3 || (Py_REFCNT(o) == alone && !(PyUnicode_CheckExact(o) && PyUnicode_CHECK_INTERNED(o)))) return false;
    if ((!w->refs || w->ref_count * 3 > w->ref_mask * 2) && !refs_grow(w)) return true;
    size_t at = ref_hash(o) & w->ref_mask;
    for (; w->refs[at].object; at = (at + 1) & w->ref_mask) {
        if (w->refs[at].object != o) continue;
        put_byte(w, M_REF);
        put_long(w, w->refs[at].number);
        return true;
    }
    w->refs[at] = (RefEntry){ Py_NewRef(o), (int)w->ref_count++ };
    *flag = FLAG_REF;
    return false;
}

/* ---- values ------------------------------------------------------------------------------------------------------------------ */

static void put_object(Writer *w, PyObject *o);

static void put_integer(Writer *w, PyObject *o, int flag)
{
    int overflow;
    long small = PyLong_AsLongAndOverflow(o, &overflow);
    if (!overflow && small >= INT32_MIN && small <= INT32_MAX) {
        put_byte(w, M_INT | flag);
        put_long(w, small);
        return;
    }
    const PyLongObject *number = (PyLongObject *)o;
    const digit *digits = number->long_value.ob_digit;
    Py_ssize_t n = (Py_ssize_t)(number->long_value.lv_tag >> 3);
    bool negative = (number->long_value.lv_tag & 3) == 2;
    digit top = digits[n - 1];
    Py_ssize_t halves = (n - 1) * 2 + (top >> 15 ? 2 : 1);
    put_byte(w, M_LONG | flag);
    if (halves > INT32_MAX) {
        w->error = WRITE_UNMARSHALLABLE;
        return;
    }
    put_long(w, negative ? -(long)halves : (long)halves);
    for (Py_ssize_t i = 0; i < n; i++) {
        put_short(w, (int)(digits[i] & 0x7fff));
        if (i < n - 1 || top >> 15) put_short(w, (int)(digits[i] >> 15));
    }
}

static void put_double(Writer *w, double value)
{
    char bytes[8];
    if (PyFloat_Pack8(value, bytes, 1) < 0) w->error = WRITE_RAISED;
    else put_bytes(w, bytes, sizeof bytes);
}

static void put_double_text(Writer *w, double value)
{
    char *text = PyOS_double_to_string(value, 'g', 17, 0, NULL);
    if (!text) {
        w->error = WRITE_RAISED;
        return;
    }
    size_t n = strlen(text);
    put_byte(w, (int)n);
    put_bytes(w, text, n);
    PyMem_Free(text);
}

static void put_text(Writer *w, PyObject *o, int flag)
{
    bool interned = PyUnicode_CHECK_INTERNED(o);
    if (w->version >= 4 && PyUnicode_IS_ASCII(o)) {
        Py_ssize_t n = PyUnicode_GET_LENGTH(o);
        if (n < 256) {
            put_byte(w, (interned ? M_SHORT_ASCII_INTERNED : M_SHORT_ASCII) | flag);
            put_byte(w, (int)n);
            put_bytes(w, PyUnicode_DATA(o), (size_t)n);
        }
        else {
            put_byte(w, (interned ? M_ASCII_INTERNED : M_ASCII) | flag);
            put_string(w, PyUnicode_DATA(o), n);
        }
        return;
    }
    PyObject *utf8 = PyUnicode_AsEncodedString(o, "utf-8", "surrogatepass");
    if (!utf8) {
        w->error = WRITE_RAISED;
        return;
    }
    put_byte(w, (w->version >= 3 && interned ? M_INTERNED : M_UNICODE) | flag);
    put_string(w, PyBytes_AS_STRING(utf8), PyBytes_GET_SIZE(utf8));
    Py_DECREF(utf8);
}

static void put_items(Writer *w, PyObject *const *items, Py_ssize_t n)
{
    for (Py_ssize_t i = 0; i < n && !w->error; i++) put_object(w, items[i]);
}

static PyObject *dump_with(PyObject *value, int version, int allow_code, int depth, PyObject **set_keys);

/* (bytes of the item alone, item); new reference. What may hold sets is remembered by address until the outermost writer ends:
 * a set in a set is written for its key and for itself, which would double with every level. */
static PyObject *set_key(Writer *w, PyObject *item)
{
    bool nested = PyFrozenSet_CheckExact(item) || PyTuple_CheckExact(item) || PyCode_Check(item);
    PyObject *address = NULL, *pair = NULL;
    if (nested) {
        if (!*w->set_keys && !(*w->set_keys = PyDict_New())) return NULL;
        if (!(address = PyLong_FromVoidPtr(item)) || PyDict_GetItemRef(*w->set_keys, address, &pair) < 0) goto done;
    }
    if (!pair) {
        PyObject *bytes = dump_with(item, w->version, w->allow_code, w->depth, w->set_keys);
        if (bytes) pair = PyTuple_Pack(2, bytes, item);
        Py_XDECREF(bytes);
        if (pair && nested && PyDict_SetItem(*w->set_keys, address, pair) < 0) Py_CLEAR(pair);
    }
done:
    Py_XDECREF(address);
    return pair;
}

/* In the order of the elements' own marshalled bytes, so that the result does not depend on hashes. */
static void put_set(Writer *w, PyObject *o, int flag)
{
    PyObject *pairs = NULL, *it = NULL, *item;
    if (!put_size(w, (put_byte(w, (PyFrozenSet_CheckExact(o) ? M_FROZENSET : M_SET) | flag), PySet_GET_SIZE(o)))) return;
    if (!(pairs = PyList_New(0)) || !(it = PyObject_GetIter(o))) goto failed;
    while ((item = PyIter_Next(it))) {
        PyObject *pair = set_key(w, item);
        int status = pair ? PyList_Append(pairs, pair) : -1;
        Py_XDECREF(pair);
        Py_DECREF(item);
        if (status < 0) goto failed;
    }
    if (PyErr_Occurred() || PyList_Sort(pairs) < 0) goto failed;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(pairs) && !w->error; i++) put_object(w, PyTuple_GET_ITEM(PyList_GET_ITEM(pairs, i), 1));
    Py_DECREF(pairs);
    Py_DECREF(it);
    return;
failed:
    Py_XDECREF(pairs);
    Py_XDECREF(it);
    w->error = PyErr_Occurred() ? WRITE_RAISED : WRITE_NO_MEMORY;
}

static void put_code(Writer *w, PyObject *o, int flag)
{
    PyCodeObject *co = (PyCodeObject *)o;
    if (!w->allow_code) {
        w->error = WRITE_CODE_NOT_ALLOWED;
        return;
    }
    PyObject *code = PyCode_GetCode(co);
    if (!code) {
        w->error = WRITE_RAISED;
        return;
    }
    put_byte(w, M_CODE | flag);
    put_long(w, co->co_argcount);
    put_long(w, co->co_posonlyargcount);
    put_long(w, co->co_kwonlyargcount);
    put_long(w, co->co_stacksize);
    put_long(w, co->co_flags);
    put_object(w, code);
    put_object(w, co->co_consts);
    put_object(w, co->co_names);
    put_object(w, co->co_localsplusnames);
    put_object(w, co->co_localspluskinds);
    put_object(w, co->co_filename);
    put_object(w, co->co_name);
    put_object(w, co->co_qualname);
    put_long(w, co->co_firstlineno);
    put_object(w, co->co_linetable);
    put_object(w, co->co_exceptiontable);
    Py_DECREF(code);
}

/* A __buffer__ method of something inside may change the list or the dict that is being written. The reference that is held here does
 * not make the object a shared one. */
static void put_held(Writer *w, PyObject *o)
{
    Py_INCREF(o);
    w->held = 1;
    put_object(w, o);
    w->held = 0;
    Py_DECREF(o);
}

static void put_list(Writer *w, PyObject *o, int flag)
{
    Py_ssize_t n = PyList_GET_SIZE(o);
    put_byte(w, M_LIST | flag);
    if (!put_size(w, n)) return;
    for (Py_ssize_t i = 0; i < n && !w->error; i++) {
        if (i < PyList_GET_SIZE(o)) put_held(w, PyList_GET_ITEM(o, i));
        else w->error = WRITE_UNMARSHALLABLE;
    }
}

static void put_dict(Writer *w, PyObject *o, int flag)
{
    Py_ssize_t at = 0;
    PyObject *key, *value;
    put_byte(w, M_DICT | flag);
    while (!w->error && PyDict_Next(o, &at, &key, &value)) {
        Py_INCREF(value);
        put_held(w, key);
        w->held = 1;
        put_object(w, value);
        w->held = 0;
        Py_DECREF(value);
    }
    put_byte(w, M_NULL);
}

static void put_buffer(Writer *w, PyObject *o, int flag)
{
    Py_buffer view;
    if (!PyObject_CheckBuffer(o)) {
        put_byte(w, M_UNKNOWN);
        w->error = WRITE_UNMARSHALLABLE;
        return;
    }
    if (PyObject_GetBuffer(o, &view, PyBUF_SIMPLE) < 0) {
        put_byte(w, M_UNKNOWN);
        w->error = WRITE_UNMARSHALLABLE;
        PyErr_Clear();
        return;
    }
    put_byte(w, M_STRING | flag);
    put_string(w, view.buf, view.len);
    PyBuffer_Release(&view);
}

static void put_value(Writer *w, PyObject *o, int flag)
{
    if (PyLong_CheckExact(o)) put_integer(w, o, flag);
    else if (PyFloat_CheckExact(o)) {
        put_byte(w, (w->version > 1 ? M_BINARY_FLOAT : M_FLOAT) | flag);
        (w->version > 1 ? put_double : put_double_text)(w, PyFloat_AS_DOUBLE(o));
    }
    else if (PyComplex_CheckExact(o)) {
        put_byte(w, (w->version > 1 ? M_BINARY_COMPLEX : M_COMPLEX) | flag);
        (w->version > 1 ? put_double : put_double_text)(w, PyComplex_RealAsDouble(o));
        (w->version > 1 ? put_double : put_double_text)(w, PyComplex_ImagAsDouble(o));
    }
    else if (PyBytes_CheckExact(o)) {
        put_byte(w, M_STRING | flag);
        put_string(w, PyBytes_AS_STRING(o), PyBytes_GET_SIZE(o));
    }
    else if (PyUnicode_CheckExact(o)) put_text(w, o, flag);
    else if (PyTuple_CheckExact(o)) {
        Py_ssize_t n = PyTuple_GET_SIZE(o);
        if (w->version >= 4 && n < 256) {
            put_byte(w, M_SMALL_TUPLE | flag);
            put_byte(w, (int)n);
        }
        else {
            put_byte(w, M_TUPLE | flag);
            if (!put_size(w, n)) return;
        }
        put_items(w, ((PyTupleObject *)o)->ob_item, n);
    }
    else if (PyList_CheckExact(o)) put_list(w, o, flag);
    else if (PyDict_CheckExact(o)) put_dict(w, o, flag);
    else if (PyAnySet_CheckExact(o)) put_set(w, o, flag);
    else if (PyCode_Check(o)) put_code(w, o, flag);
    else put_buffer(w, o, flag);
}

static void put_object(Writer *w, PyObject *o)
{
    int flag = 0;
    if (w->error) return;
    if (!o) put_byte(w, M_NULL);
    else if (o == Py_None) put_byte(w, M_NONE);
    else if (o == PyExc_StopIteration) put_byte(w, M_STOP_ITERATION);
    else if (o == Py_Ellipsis) put_byte(w, M_ELLIPSIS);
    else if (o == Py_False) put_byte(w, M_FALSE);
    else if (o == Py_True) put_byte(w, M_TRUE);
    else if (++w->depth > DEPTH_MAX) w->error = WRITE_TOO_DEEP;
    else {
        if (!put_reference(w, o, &flag)) put_value(w, o, flag);
        w->depth--;
    }
}

static void writer_done(Writer *w)
{
    for (size_t i = 0; w->refs && i <= w->ref_mask; i++) Py_XDECREF(w->refs[i].object);
    PyMem_RawFree(w->refs);
    PyMem_RawFree(w->data);
}

static void raise_error(WriteError error)
{
    switch (error) {
    case WRITE_NO_MEMORY: PyErr_NoMemory(); break;
    case WRITE_TOO_DEEP: PyErr_SetString(PyExc_ValueError, "object too deeply nested to marshal"); break;
    case WRITE_CODE_NOT_ALLOWED: PyErr_SetString(PyExc_ValueError, "marshalling code objects is disallowed"); break;
    case WRITE_UNMARSHALLABLE: PyErr_SetString(PyExc_ValueError, "unmarshallable object"); break;
    default: break;
    }
}

static PyObject *dump_with(PyObject *value, int version, int allow_code, int depth, PyObject **set_keys)
{
    Writer w = { .version = version, .allow_code = allow_code, .depth = depth, .set_keys = set_keys };
    PyObject *bytes = NULL;
    put_object(&w, value);
    if (w.error) raise_error(w.error);
    else bytes = PyBytes_FromStringAndSize(w.data, (Py_ssize_t)w.size);
    writer_done(&w);
    return bytes;
}

PyObject *marshal_dump(PyObject *value, int version, int allow_code)
{
    PyObject *set_keys = NULL, *bytes = dump_with(value, version, allow_code, 0, &set_keys);
    Py_XDECREF(set_keys);
    return bytes;
}

/* ---- public functions ------------------------------------------------------------------------------------------------------------ */

PyObject *PyMarshal_WriteObjectToString(PyObject *value, int version)
{
    if (PySys_Audit("marshal.dumps", "Oi", value, version) < 0) return NULL;
    return marshal_dump(value, version, 1);
}

void PyMarshal_WriteLongToFile(long value, FILE *file, int version)
{
    for (int shift = 0; shift < 32; shift += 8) putc((int)(value >> shift & 0xff), file);
}

void PyMarshal_WriteObjectToFile(PyObject *value, FILE *file, int version)
{
    if (PySys_Audit("marshal.dumps", "Oi", value, version) < 0) return;
    PyObject *bytes = marshal_dump(value, version, 1);
    if (!bytes) return;
    fwrite(PyBytes_AS_STRING(bytes), 1, (size_t)PyBytes_GET_SIZE(bytes), file);
    Py_DECREF(bytes);
}
