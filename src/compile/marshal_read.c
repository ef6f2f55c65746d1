/* Reading the marshal format: any sequence of bytes gives an object or an exception.
 *
 * Sizes in the data are checked against what is left before anything is allocated for them. A container that may refer to
 * itself reserves its number in `refs` (None stands there until it is complete). */
#include "compile/marshal_private.h"
#include "objects/code.h"

#include <marshal.h>
#include <string.h>
#include <sys/stat.h>

typedef struct Reader {
    const char *at, *end;                     /* of memory, or of `buffer` when file is set */
    PyObject *readinto;                       /* bound method of a Python file, or NULL */
    FILE *stream;                             /* or a C stream */
    char *buffer;                             /* what was fetched from the file for the last request */
    size_t capacity;
    int depth, allow_code;
    bool open;                                /* a tuple was referred to before its items were read */
    PyObject *refs;                           /* list */
} Reader;

static PyObject *get_object(Reader *r);

static const char *too_short(void)
{
    PyErr_SetString(PyExc_EOFError, "marshal data too short");
    return NULL;
}

static const char *fetch_python(Reader *r, Py_ssize_t n)
{
    PyObject *view = PyMemoryView_FromMemory(r->buffer, n, PyBUF_WRITE), *result = view ? PyObject_CallOneArg(r->readinto, view) : NULL;
    Py_XDECREF(view);
    if (!result) return NULL;
    Py_ssize_t got = PyNumber_AsSsize_t(result, PyExc_ValueError);
    Py_DECREF(result);
    if (got == -1 && PyErr_Occurred()) return NULL;
    if (got == n) return r->buffer;
    if (got > n) PyErr_Format(PyExc_ValueError, "read() returned too much data: %zd bytes requested, %zd returned", n, got);
    else PyErr_SetString(PyExc_EOFError, "EOF read where not expected");
    return NULL;
}

/* n bytes, valid until the next call. NULL with EOFError and the like. */
static const char *get_bytes(Reader *r, Py_ssize_t n)
{
    if (!r->readinto && !r->stream) {
        if (r->end - r->at < n) return too_short();
        const char *bytes = r->at;
        r->at += n;
        return bytes;
    }
    /* The size may be a lie: take a file's bytes a megabyte at a time at first. */
    if ((size_t)n > r->capacity) {
        char *larger = PyMem_Realloc(r->buffer, (size_t)n);
        if (!larger) {
            PyErr_NoMemory();
            return NULL;
        }
        r->buffer = larger;
        r->capacity = (size_t)n;
    }
    if (r->readinto) return fetch_python(r, n);
    if (fread(r->buffer, 1, (size_t)n, r->stream) == (size_t)n) return r->buffer;
    return too_short();
}

static int get_byte(Reader *r)
{
    if (!r->readinto && !r->stream) {
        if (r->at < r->end) return (unsigned char)*r->at++;
        return -1;
    }
    if (r->stream) return getc(r->stream);
    const char *byte = get_bytes(r, 1);
    return byte ? (unsigned char)*byte : -1;
}

static long get_long(Reader *r)
{
    const unsigned char *b = (const unsigned char *)get_bytes(r, 4);
    return b ? (int32_t)((uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24) : -1;
}

/* A size; -1 with an exception. Elements take at least `least` bytes each, which bounds what memory may hold. */
static Py_ssize_t get_size(Reader *r, const char *what, Py_ssize_t least)
{
    long n = get_long(r);
    if (PyErr_Occurred()) return -1;
    if (n < 0) {
        PyErr_Format(PyExc_ValueError, "bad marshal data (%s size out of range)", what);
        return -1;
    }
    if (!r->readinto && !r->stream && least && n > (r->end - r->at) / least) {
        too_short();
        return -1;
    }
    return n;
}

/* ---- references ------------------------------------------------------------------------------------------------------------------ */

static Py_ssize_t reserve_ref(Reader *r, int flag)
{
    if (!flag) return 0;
    Py_ssize_t at = PyList_GET_SIZE(r->refs);
    if (at >= INT32_MAX) {
        PyErr_SetString(PyExc_ValueError, "bad marshal data (index list too large)");
        return -1;
    }
    return PyList_Append(r->refs, Py_None) < 0 ? -1 : at;
}

/* Returns o, or NULL when that is NULL. */
static PyObject *fill_ref(Reader *r, PyObject *o, Py_ssize_t at, int flag)
{
    if (o && flag) {
        PyObject *old = PyList_GET_ITEM(r->refs, at);
        PyList_SET_ITEM(r->refs, at, Py_NewRef(o));
        Py_DECREF(old);
    }
    return o;
}

static PyObject *add_ref(Reader *r, PyObject *o, int flag)
{
    if (o && flag && PyList_Append(r->refs, o) < 0) Py_CLEAR(o);
    return o;
}

/* ---- values ----------------------------------------------------------------------------------------------------------------------- */

static PyObject *get_integer(Reader *r)
{
    long halves = get_long(r);
    if (PyErr_Occurred()) return NULL;
    if (halves == 0) return PyLong_FromLong(0);
    if (halves < -INT32_MAX || halves > INT32_MAX) {
        PyErr_SetString(PyExc_ValueError, "bad marshal data (long size out of range)");
        return NULL;
    }
    Py_ssize_t n = halves < 0 ? -halves : halves;
    const unsigned char *data = (const unsigned char *)get_bytes(r, n * 2);
    if (!data) return NULL;
    /* 15-bit digits to little-endian bytes */
    size_t size = ((size_t)n * 15 + 7) / 8 + 1, to = 0;
    unsigned char *bytes = PyMem_Calloc(size, 1);
    if (!bytes) return PyErr_NoMemory();
    uint32_t pending = 0;
    int bits = 0;
    bool bad = false;
    unsigned last = 0;
    for (Py_ssize_t i = 0; i < n; i++) {
        last = (unsigned)data[2 * i] | (unsigned)data[2 * i + 1] << 8;
        if (last > 0x7fff) bad = true;
        pending |= (last & 0x7fff) << bits;
        for (bits += 15; bits >= 8; bits -= 8, pending >>= 8) bytes[to++] = (unsigned char)pending;
    }
    if (bits) bytes[to++] = (unsigned char)pending;
    PyObject *number = NULL;
    if (bad) PyErr_SetString(PyExc_ValueError, "bad marshal data (digit out of range in long)");
    else if (!last) PyErr_SetString(PyExc_ValueError, "bad marshal data (unnormalized long data)");
    else number = PyLong_FromUnsignedNativeBytes(bytes, to, Py_ASNATIVEBYTES_LITTLE_ENDIAN);
    PyMem_Free(bytes);
    if (number && halves < 0) Py_SETREF(number, PyNumber_Negative(number));
    return number;
}

static double get_double(Reader *r)
{
    const char *bytes = get_bytes(r, 8);
    return bytes ? PyFloat_Unpack8(bytes, 1) : -1.0;
}

static double get_double_text(Reader *r)
{
    int n = get_byte(r);
    char text[256];
    if (n == -1) {
        if (!PyErr_Occurred()) PyErr_SetString(PyExc_EOFError, "EOF read where object expected");
        return -1.0;
    }
    const char *bytes = get_bytes(r, n);
    if (!bytes) return -1.0;
    memcpy(text, bytes, (size_t)n);
    text[n] = '\0';
    return PyOS_string_to_double(text, NULL, NULL);
}

static PyObject *get_complex(Reader *r, double (*part)(Reader *))
{
    double real = part(r);
    if (real == -1.0 && PyErr_Occurred()) return NULL;
    double imag = part(r);
    if (imag == -1.0 && PyErr_Occurred()) return NULL;
    return PyComplex_FromDoubles(real, imag);
}

static PyObject *get_ascii(Reader *r, Py_ssize_t n, bool interned)
{
    const char *bytes = n < 0 ? NULL : get_bytes(r, n);
    if (!bytes) return NULL;
    PyObject *text = PyUnicode_FromKindAndData(PyUnicode_1BYTE_KIND, bytes, n);
    if (text && interned) PyUnicode_InternInPlace(&text);
    return text;
}

static PyObject *get_short_ascii(Reader *r, bool interned)
{
    int n = get_byte(r);
    if (n == -1 && !PyErr_Occurred()) PyErr_SetString(PyExc_EOFError, "EOF read where object expected");
    return get_ascii(r, n, interned);
}

static PyObject *get_unicode(Reader *r, bool interned)
{
    Py_ssize_t n = get_size(r, "string", 1);
    const char *bytes = n < 0 ? NULL : get_bytes(r, n);
    PyObject *text = bytes ? PyUnicode_DecodeUTF8(bytes, n, "surrogatepass") : NULL;
    if (text && interned) PyUnicode_InternInPlace(&text);
    return text;
}

/* The next element of a container. NULL with an exception, also for the NULL marker. */
static PyObject *get_element(Reader *r, const char *container)
{
    PyObject *o = get_object(r);
    if (!o && !PyErr_Occurred()) PyErr_Format(PyExc_TypeError, "NULL object in marshal data for %s", container);
    return o;
}

static PyObject *get_tuple(Reader *r, Py_ssize_t n, int flag)
{
    PyObject *tuple = n < 0 ? NULL : PyTuple_New(n);
    if (!add_ref(r, tuple, flag)) return NULL;
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *item = get_element(r, "tuple");
        if (!item) {
            Py_DECREF(tuple);
            return NULL;
        }
        PyTuple_SET_ITEM(tuple, i, item);
    }
    return tuple;
}

static PyObject *get_list(Reader *r, int flag)
{
    Py_ssize_t n = get_size(r, "list", 1);
    PyObject *list = n < 0 ? NULL : PyList_New(n);
    if (!add_ref(r, list, flag)) return NULL;
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *item = get_element(r, "list");
        if (!item) {
            Py_DECREF(list);
            return NULL;
        }
        PyList_SET_ITEM(list, i, item);
    }
    return list;
}

/* Whether every item of the tuple is there, and of the tuples in it. Those that hold themselves are refused with those still open. */
static bool tuple_complete(PyObject *tuple, int depth)
{
    if (depth > DEPTH_MAX) return false;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(tuple); i++) {
        PyObject *item = PyTuple_GET_ITEM(tuple, i);
        if (!item || (PyTuple_Check(item) && !tuple_complete(item, depth + 1))) return false;
    }
    return true;
}

/* What is hashed or becomes a part of code must be complete. Steals o, which may be NULL. */
static PyObject *get_complete(Reader *r, PyObject *o)
{
    if (!r->open || !o || !PyTuple_Check(o) || tuple_complete(o, 0)) return o;
    PyErr_SetString(PyExc_ValueError, "bad marshal data (reference to an incomplete tuple)");
    Py_DECREF(o);
    return NULL;
}

static PyObject *get_dict(Reader *r, int flag)
{
    PyObject *dict = add_ref(r, PyDict_New(), flag), *key;
    if (!dict) return NULL;
    while ((key = get_complete(r, get_object(r)))) {
        PyObject *value = get_object(r);
        int status = value ? PyDict_SetItem(dict, key, value) : -1;
        Py_DECREF(key);
        Py_XDECREF(value);
        if (status < 0) break;
    }
    if (PyErr_Occurred()) Py_CLEAR(dict);
    return dict;
}

static PyObject *get_set(Reader *r, bool frozen, int flag)
{
    Py_ssize_t n = get_size(r, "set", 1), at = 0;
    if (n < 0) return NULL;
    PyObject *set = frozen ? PyFrozenSet_New(NULL) : PySet_New(NULL);
    if (!set) return NULL;
    if (frozen && n == 0) return add_ref(r, set, flag);
    /* A frozenset must not be seen before it is complete: its hash would change. */
    if (frozen) at = reserve_ref(r, flag);
    else if (!add_ref(r, set, flag)) return NULL;
    for (Py_ssize_t i = 0; at >= 0 && i < n; i++) {
        PyObject *item = get_complete(r, get_element(r, "set"));
        int status = item ? PySet_Add(set, item) : -1;
        Py_XDECREF(item);
        if (status < 0) at = -1;
    }
    if (at < 0) {
        Py_DECREF(set);
        return NULL;
    }
    return frozen ? fill_ref(r, set, at, flag) : set;
}

static PyObject *get_code(Reader *r, int flag)
{
    enum { CODE, CONSTS, NAMES, LOCALS, KINDS, FILENAME, NAME, QUALNAME, LINES, HANDLERS, OBJECTS };
    PyObject *o[OBJECTS] = { NULL }, *result = NULL;
    long n[6];
    if (!r->allow_code) {
        PyErr_SetString(PyExc_ValueError, "unmarshalling code objects is disallowed");
        return NULL;
    }
    Py_ssize_t at = reserve_ref(r, flag);
    if (at < 0) return NULL;
    for (int i = 0; i < 5; i++) {
        n[i] = get_long(r);
        if (PyErr_Occurred()) return NULL;
    }
    for (int i = 0; i < OBJECTS; i++) {
        if (i == LINES) {
            n[5] = get_long(r);
            if (n[5] == -1 && PyErr_Occurred()) goto done;
        }
        if (!(o[i] = get_complete(r, get_object(r)))) goto done;
    }
    static const char kinds[OBJECTS] = { 'b', 't', 't', 't', 'b', 's', 's', 's', 'b', 'b' };
    for (int i = 0; i < OBJECTS; i++) {
        bool ok = kinds[i] == 'b' ? PyBytes_Check(o[i]) : kinds[i] == 't' ? PyTuple_Check(o[i]) : PyUnicode_Check(o[i]);
        if (!ok) {
            PyErr_SetString(PyExc_ValueError, "bad marshal data (code object with a part of the wrong type)");
            goto done;
        }
    }
    CodeParts parts = {
        .argcount = (int)n[0], .posonlyargcount = (int)n[1], .kwonlyargcount = (int)n[2], .stacksize = (int)n[3], .flags = (int)n[4],
        .firstlineno = (int)n[5], .code = o[CODE], .consts = o[CONSTS], .names = o[NAMES], .localsplusnames = o[LOCALS],
        .localspluskinds = o[KINDS], .filename = o[FILENAME], .name = o[NAME], .qualname = o[QUALNAME], .linetable = o[LINES],
        .exceptiontable = o[HANDLERS],
    };
    if (PySys_Audit("code.__new__", "OOOiiiiii", parts.code, parts.filename, parts.name, parts.argcount, parts.posonlyargcount,
                    parts.kwonlyargcount, (int)PyTuple_GET_SIZE(parts.localsplusnames), parts.stacksize, parts.flags) < 0) goto done;
    result = fill_ref(r, code_new(&parts), at, flag);
done:
    if (!result && !PyErr_Occurred()) PyErr_SetString(PyExc_TypeError, "NULL object in marshal data for code object");
    for (int i = 0; i < OBJECTS; i++) Py_XDECREF(o[i]);
    return result;
}

static PyObject *get_reference(Reader *r)
{
    long n = get_long(r);
    if (n < 0 || n >= PyList_GET_SIZE(r->refs)) {
        if (!PyErr_Occurred()) PyErr_SetString(PyExc_ValueError, "bad marshal data (invalid reference)");
        return NULL;
    }
    PyObject *o = PyList_GET_ITEM(r->refs, n);
    if (o != Py_None) {
        if (PyTuple_Check(o) && PyTuple_GET_SIZE(o) && !PyTuple_GET_ITEM(o, PyTuple_GET_SIZE(o) - 1)) r->open = true;
        return Py_NewRef(o);
    }
    PyErr_SetString(PyExc_ValueError, "bad marshal data (invalid reference)");
    return NULL;
}

static PyObject *get_value(Reader *r, int type, int flag)
{
    Py_ssize_t n;
    const char *bytes;
    double real;
    switch (type) {
    case M_NULL: return NULL;
    case M_NONE: return Py_NewRef(Py_None);
    case M_STOP_ITERATION: return Py_NewRef(PyExc_StopIteration);
    case M_ELLIPSIS: return Py_NewRef(Py_Ellipsis);
    case M_FALSE: return Py_NewRef(Py_False);
    case M_TRUE: return Py_NewRef(Py_True);
    case M_INT: {
        long value = get_long(r);
        return PyErr_Occurred() ? NULL : add_ref(r, PyLong_FromLong(value), flag);
    }
    case M_INT64: {
        int64_t value;
        if (!(bytes = get_bytes(r, 8))) return NULL;
        memcpy(&value, bytes, 8);
        return add_ref(r, PyLong_FromLongLong(value), flag);
    }
    case M_LONG: return add_ref(r, get_integer(r), flag);
    case M_FLOAT:
        real = get_double_text(r);
        return real == -1.0 && PyErr_Occurred() ? NULL : add_ref(r, PyFloat_FromDouble(real), flag);
    case M_BINARY_FLOAT:
        real = get_double(r);
        return real == -1.0 && PyErr_Occurred() ? NULL : add_ref(r, PyFloat_FromDouble(real), flag);
    case M_COMPLEX: return add_ref(r, get_complex(r, get_double_text), flag);
    case M_BINARY_COMPLEX: return add_ref(r, get_complex(r, get_double), flag);
    case M_STRING:
        n = get_size(r, "bytes object", 1);
        bytes = n < 0 ? NULL : get_bytes(r, n);
        return bytes ? add_ref(r, PyBytes_FromStringAndSize(bytes, n), flag) : NULL;
    case M_ASCII_INTERNED: return add_ref(r, get_ascii(r, get_size(r, "string", 1), true), flag);
    case M_ASCII: return add_ref(r, get_ascii(r, get_size(r, "string", 1), false), flag);
    case M_SHORT_ASCII_INTERNED: return add_ref(r, get_short_ascii(r, true), flag);
    case M_SHORT_ASCII: return add_ref(r, get_short_ascii(r, false), flag);
    case M_INTERNED: return add_ref(r, get_unicode(r, true), flag);
    case M_UNICODE: return add_ref(r, get_unicode(r, false), flag);
    case M_SMALL_TUPLE:
        n = get_byte(r);
        if (n == -1) {
            if (!PyErr_Occurred()) PyErr_SetString(PyExc_EOFError, "EOF read where object expected");
            return NULL;
        }
        return get_tuple(r, n, flag);
    case M_TUPLE: return get_tuple(r, get_size(r, "tuple", 1), flag);
    case M_LIST: return get_list(r, flag);
    case M_DICT: return get_dict(r, flag);
    case M_SET: return get_set(r, false, flag);
    case M_FROZENSET: return get_set(r, true, flag);
    case M_CODE: return get_code(r, flag);
    case M_REF: return get_reference(r);
    default:
        PyErr_SetString(PyExc_ValueError, "bad marshal data (unknown type code)");
        return NULL;
    }
}

static PyObject *get_object(Reader *r)
{
    int code = get_byte(r);
    if (code == -1) {
        if (!PyErr_Occurred() || PyErr_ExceptionMatches(PyExc_EOFError)) PyErr_SetString(PyExc_EOFError, "EOF read where object expected");
        return NULL;
    }
    if (++r->depth > DEPTH_MAX) {
        r->depth--;
        PyErr_SetString(PyExc_ValueError, "recursion limit exceeded");
        return NULL;
    }
    PyObject *o = get_value(r, code & ~FLAG_REF, code & FLAG_REF);
    r->depth--;
    return o;
}

static PyObject *read_object(Reader *r)
{
    PyObject *pending = PyErr_GetRaisedException(), *o = NULL;   /* NULL without exception must mean the marker */
    if ((r->refs = PyList_New(0))) {
        o = get_object(r);
        if (!o && !PyErr_Occurred()) PyErr_SetString(PyExc_TypeError, "NULL object in marshal data for object");
    }
    Py_CLEAR(r->refs);
    PyMem_Free(r->buffer);
    r->buffer = NULL;
    r->capacity = 0;
    if (pending) {
        if (o) PyErr_SetRaisedException(pending);
        else Py_DECREF(pending);
    }
    return o;
}

PyObject *marshal_load(const char *data, Py_ssize_t size, int allow_code, const char **end)
{
    Reader r = { .at = data, .end = data + size, .allow_code = allow_code };
    PyObject *o = read_object(&r);
    if (end) *end = r.at;
    return o;
}

PyObject *marshal_load_file(PyObject *file, int allow_code)
{
    PyObject *readinto = PyObject_GetAttrString(file, "readinto");
    if (!readinto) return NULL;
    Reader r = { .readinto = readinto, .allow_code = allow_code };
    PyObject *o = read_object(&r);
    Py_DECREF(readinto);
    return o;
}

/* ---- public functions ------------------------------------------------------------------------------------------------------------------ */

PyObject *PyMarshal_ReadObjectFromString(const char *data, Py_ssize_t size)
{
    if (PySys_Audit("marshal.loads", "y#", data, size) < 0) return NULL;
    return marshal_load(data, size, 1, NULL);
}

PyObject *PyMarshal_ReadObjectFromFile(FILE *file)
{
    Reader r = { .stream = file, .allow_code = 1 };
    return read_object(&r);
}

/* The rest of the file is one object: read it at once. */
PyObject *PyMarshal_ReadLastObjectFromFile(FILE *file)
{
    struct stat st;
    long position = ftell(file);
    if (position < 0 || fstat(fileno(file), &st) < 0 || st.st_size <= position) return PyMarshal_ReadObjectFromFile(file);
    size_t size = (size_t)(st.st_size - position);
    char *data = PyMem_Malloc(size);
    if (!data) return PyMarshal_ReadObjectFromFile(file);
    size = fread(data, 1, size, file);
    PyObject *o = PyMarshal_ReadObjectFromString(data, (Py_ssize_t)size);
    PyMem_Free(data);
    return o;
}

int PyMarshal_ReadShortFromFile(FILE *file)
{
    Reader r = { .stream = file };
    const unsigned char *b = (const unsigned char *)get_bytes(&r, 2);
    int value = b ? (int16_t)(b[0] | b[1] << 8) : -1;
    PyMem_Free(r.buffer);
    return value;
}

long PyMarshal_ReadLongFromFile(FILE *file)
{
    Reader r = { .stream = file };
    long value = get_long(&r);
    PyMem_Free(r.buffer);
    return value;
}
