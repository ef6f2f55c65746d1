/* _struct: Python values to and from C structs in bytes.
 *
 * A format is compiled once into a list of fields (code, place, size, count); packing and unpacking walk that list. Compiled
 * formats of the module's functions are kept in a dictionary that is emptied when it holds a hundred. */
#include "capi/args.h"

#include <math.h>
#include <string.h>
#include <structmember.h>

/* One run of equal items. */
typedef struct Field {
    char code;
    bool little, native;                      /* byte order of its items; '@' */
    uint8_t itemsize;                         /* of numbers; strings are one item of size bytes */
    Py_ssize_t offset, size, repeat;
} Field;

/* A compiled format. Counted, because packing runs Python code, which may initialise the Struct again. */
typedef struct Layout {
    Py_ssize_t users;
    Field fields[];                           /* ends with code 0 */
} Layout;

typedef struct Struct {
    PyObject_HEAD
    Py_ssize_t size, count;                   /* bytes, and values; -1: not initialised */
    Layout *layout;
    PyObject *format;                         /* bytes */
    PyObject *weakreflist;
} Struct;

typedef struct StructState {
    PyTypeObject *struct_type, *iterator_type;
    PyObject *error, *cache;
} StructState;

#define STRUCT(o) ((Struct *)(o))
enum { CACHE_SIZE = 100 };

static PyModuleDef struct_module;

static StructState *state_of_module(PyObject *module) { return PyModule_GetState(module); }
static StructState *state_of(PyObject *o)
{
    PyObject *module = PyType_GetModuleByDef(Py_TYPE(o), &struct_module);
    return module ? PyModule_GetState(module) : NULL;
}

/* ---- formats -------------------------------------------------------------------------------------------------------------------------------- */

/* Size and alignment of a code; size -1: unknown. Strings and padding have size 1. */
static void describe(char code, bool native, Py_ssize_t *size, Py_ssize_t *alignment)
{
#define NATIVE(type) *size = (Py_ssize_t)sizeof(type), *alignment = (Py_ssize_t)_Alignof(type)
    *alignment = 1;
    *size = -1;
    switch (code) {
    case 'x': case 'c': case 'b': case 'B': case 's': case 'p':
        *size = 1;
        break;
    case '?': *size = 1; break;
    case 'h': case 'H': *size = *alignment = 2; break;
    case 'e': *size = *alignment = 2; break;
    case 'i': case 'I': case 'f': *size = *alignment = 4; break;
    case 'l': case 'L':
        if (native) NATIVE(long);
        else *size = 4;
        break;
    case 'q': case 'Q': *size = *alignment = 8; break;
    case 'd': *size = *alignment = 8; break;
    case 'n': case 'N':
        if (native) NATIVE(Py_ssize_t);
        break;
    case 'P':
        if (native) NATIVE(void *);
        break;
    default: break;
    }
    if (!native) *alignment = 1;
#undef NATIVE
}

static bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

typedef struct Reading { const char *p; Py_ssize_t repeat; char code; } Reading;

/* The next count and code. 1, 0 at the end, -1 with an exception. */
static int read_unit(StructState *state, Reading *r)
{
    while (is_space(*r->p)) r->p++;
    if (!*r->p) return 0;
    r->repeat = 1;
    if (*r->p >= '0' && *r->p <= '9') {
        r->repeat = 0;
        for (; *r->p >= '0' && *r->p <= '9'; r->p++) {
            if (r->repeat >= PY_SSIZE_T_MAX / 10 && (r->repeat > PY_SSIZE_T_MAX / 10 || *r->p > '7')) {
                PyErr_SetString(state->error, "total struct size too long");
                return -1;
            }
            r->repeat = r->repeat * 10 + (*r->p - '0');
        }
        if (!*r->p) {
            PyErr_SetString(state->error, "repeat count given without format specifier");
            return -1;
        }
    }
    r->code = *r->p++;
    return 1;
}

static void layout_release(Layout *layout)
{
    if (layout && --layout->users == 0) PyMem_Free(layout);
}

static int compile(StructState *state, Struct *s, const char *format)
{
    bool native = true, little = PY_LITTLE_ENDIAN;
    switch (*format) {
    case '<': little = true; native = false; format++; break;
    case '>': case '!': little = false; native = false; format++; break;
    case '=': native = false; format++; break;
    case '@': format++; break;
    default: break;
    }
    Reading r = { .p = format };
    size_t nfields = 0;
    int status;
    Py_ssize_t size, alignment, total = 0, count = 0;
    while ((status = read_unit(state, &r)) > 0) nfields++;
    if (status < 0) return -1;
    Layout *layout = PyMem_Malloc(sizeof(Layout) + (nfields + 1) * sizeof(Field));
    if (!layout) {
        PyErr_NoMemory();
        return -1;
    }
    layout->users = 1;
    Field *field = layout->fields;
    r.p = format;
    while ((status = read_unit(state, &r)) > 0) {
        describe(r.code, native, &size, &alignment);
        if (size < 0) {
            PyErr_SetString(state->error, "bad char in struct format");
            goto error;
        }
        Py_ssize_t padding = alignment > 1 ? -total & (alignment - 1) : 0;
        if (total > PY_SSIZE_T_MAX - padding) goto too_long;
        total += padding;
        if (r.repeat > (PY_SSIZE_T_MAX - total) / size) goto too_long;
        bool string = r.code == 's' || r.code == 'p';
        if (r.code != 'x' && (string || r.repeat)) {
            *field++ = (Field){ r.code, little, native, (uint8_t)size, total, string ? r.repeat : size, string ? 1 : r.repeat };
            count += string ? 1 : r.repeat;
        }
        total += size * r.repeat;
    }
    if (status < 0) goto error;
    field->code = 0;
    s->size = total;
    s->count = count;
    layout_release(s->layout);
    s->layout = layout;
    return 0;
too_long:
    PyErr_SetString(state->error, "total struct size too long");
error:
    PyMem_Free(layout);
    return -1;
}

/* ---- packing --------------------------------------------------------------------------------------------------------------------------------- */

static void store(char *p, uint64_t value, const Field *f)
{
    if (LIKELY(f->little == (bool)PY_LITTLE_ENDIAN)) {
        switch (f->itemsize) {
        case 1: *p = (char)value; break;
        case 2: { uint16_t v = (uint16_t)value; memcpy(p, &v, 2); break; }
        case 4: { uint32_t v = (uint32_t)value; memcpy(p, &v, 4); break; }
        default: memcpy(p, &value, 8);
        }
        return;
    }
    for (int i = f->itemsize; i--; value >>= 8) p[i] = (char)value;
}

static uint64_t load(const char *p, const Field *f)
{
    uint64_t value = 0;
    if (LIKELY(f->little)) {
#if PY_LITTLE_ENDIAN
        switch (f->itemsize) {
        case 1: return (unsigned char)*p;
        case 2: { uint16_t v; memcpy(&v, p, 2); return v; }
        case 4: { uint32_t v; memcpy(&v, p, 4); return v; }
        default: memcpy(&value, p, 8); return value;
        }
#else
        for (int i = f->itemsize; i--;) value = value << 8 | (unsigned char)p[i];
        return value;
#endif
    }
    for (int i = 0; i < f->itemsize; i++) value = value << 8 | (unsigned char)p[i];
    return value;
}

static COLD int out_of_range(StructState *state, const Field *f, bool is_signed)
{
    unsigned bits = f->itemsize * 8u;
    unsigned long long high = bits == 64 ? ~0ULL : (1ULL << bits) - 1;
    if (is_signed)
        PyErr_Format(state->error, "'%c' format requires %lld <= number <= %lld", f->code, -(long long)(high / 2) - 1, (long long)(high / 2));
    else PyErr_Format(state->error, "'%c' format requires 0 <= number <= %llu", f->code, high);
    return -1;
}

/* An int, by __index__ where needed. New reference. */
static PyObject *to_int(StructState *state, PyObject *v)
{
    if (LIKELY(PyLong_Check(v))) return Py_NewRef(v);
    if (PyIndex_Check(v)) return PyNumber_Index(v);
    PyErr_SetString(state->error, "required argument is not an integer");
    return NULL;
}

static int pack_signed(StructState *state, char *p, PyObject *v, const Field *f)
{
    PyObject *index = to_int(state, v);
    if (!index) return -1;
    int overflow;
    long long value = PyLong_AsLongLongAndOverflow(index, &overflow);
    Py_DECREF(index);
    if (value == -1 && PyErr_Occurred()) return -1;
    unsigned bits = f->itemsize * 8u;
    if (overflow || (bits < 64 && (value < -(1LL << (bits - 1)) || value >= 1LL << (bits - 1)))) return out_of_range(state, f, true);
    store(p, (uint64_t)value, f);
    return 0;
}

static int pack_unsigned(StructState *state, char *p, PyObject *v, const Field *f)
{
    PyObject *index = to_int(state, v);
    if (!index) return -1;
    int overflow;
    long long small = PyLong_AsLongLongAndOverflow(index, &overflow);
    unsigned long long value = (unsigned long long)small;
    if (overflow > 0) {
        value = PyLong_AsUnsignedLongLong(index);
        if (value == (unsigned long long)-1 && PyErr_Occurred()) PyErr_Clear();
        else overflow = 0;
    }
    else if (small < 0) overflow = -1;
    bool all_ones = overflow > 0 && _PyLong_NumBits(index) == 64;
    Py_DECREF(index);
    if ((overflow && !all_ones) || (f->itemsize < 8 && value >> (f->itemsize * 8))) return out_of_range(state, f, false);
    store(p, value, f);
    return 0;
}

static int pack_float(StructState *state, char *p, PyObject *v, const Field *f)
{
    double x = PyFloat_AsDouble(v);
    if (x == -1.0 && PyErr_Occurred()) {
        PyErr_SetString(state->error, "required argument is not a float");
        return -1;
    }
    if (f->code == 'f' && f->native) {         /* as C converts: to infinity where it must */
        float y = (float)x;
        memcpy(p, &y, sizeof y);
        return 0;
    }
    if (f->code == 'd') return PyFloat_Pack8(x, p, f->little);
    return f->code == 'f' ? PyFloat_Pack4(x, p, f->little) : PyFloat_Pack2(x, p, f->little);
}

static int pack_string(StructState *state, char *p, PyObject *v, const Field *f)
{
    bool bytes = PyBytes_Check(v);
    if (!bytes && !PyByteArray_Check(v)) {
        PyErr_Format(state->error, "argument for '%c' must be a bytes object", f->code);
        return -1;
    }
    const char *data = bytes ? PyBytes_AS_STRING(v) : PyByteArray_AS_STRING(v);
    Py_ssize_t n = Py_SIZE(v), room = f->size;
    if (f->code == 'p') {                     /* the length in the first byte */
        if (room == 0) return 0;
        room--;
        if (n > room) n = room;
        memcpy(p + 1, data, (size_t)n);
        *p = (char)(n > 255 ? 255 : n);
        return 0;
    }
    memcpy(p, data, (size_t)(n < room ? n : room));
    return 0;
}

static int pack_item(StructState *state, char *p, PyObject *v, const Field *f)
{
    switch (f->code) {
    case 'b': case 'h': case 'i': case 'l': case 'q': case 'n':
        return pack_signed(state, p, v, f);
    case 'B': case 'H': case 'I': case 'L': case 'Q': case 'N':
        return pack_unsigned(state, p, v, f);
    case 'e': case 'f': case 'd':
        return pack_float(state, p, v, f);
    case 's': case 'p':
        return pack_string(state, p, v, f);
    case 'c':
        if (!PyBytes_Check(v) || PyBytes_GET_SIZE(v) != 1) {
            PyErr_SetString(state->error, "char format requires a bytes object of length 1");
            return -1;
        }
        *p = PyBytes_AS_STRING(v)[0];
        return 0;
    case '?': {
        int truth = PyObject_IsTrue(v);
        if (truth < 0) return -1;
        *p = (char)truth;
        return 0;
    }
    default: {                                /* 'P' */
        PyObject *index = to_int(state, v);
        if (!index) return -1;
        void *value = PyLong_AsVoidPtr(index);
        Py_DECREF(index);
        if (!value && PyErr_Occurred()) return -1;
        memcpy(p, &value, sizeof value);
        return 0;
    }
    }
}

/* All values of args into p. OverflowErrors of conversions are struct errors. */
static int pack_all(StructState *state, Struct *s, char *p, PyObject *const *args)
{
    Layout *layout = s->layout;
    int status = 0;
    memset(p, 0, (size_t)s->size);
    layout->users++;
    for (const Field *f = layout->fields; f->code; f++) {
        char *at = p + f->offset;
        for (Py_ssize_t i = f->repeat; i--; at += f->size) {
            if (LIKELY(pack_item(state, at, *args++, f) == 0)) continue;
            if (PyLong_Check(args[-1]) && PyErr_ExceptionMatches(PyExc_OverflowError))
                PyErr_SetString(state->error, "int too large to convert");
            status = -1;
            goto done;
        }
    }
done:
    layout_release(layout);
    return status;
}

/* ---- unpacking ---------------------------------------------------------------------------------------------------------------------------------- */

static PyObject *unpack_item(const char *p, const Field *f)
{
    switch (f->code) {
    case 'b': return PyLong_FromLong((signed char)*p);
    case 'B': return PyLong_FromLong((unsigned char)*p);
    case 'h': return PyLong_FromLong((int16_t)load(p, f));
    case 'i': return PyLong_FromLong((int32_t)load(p, f));
    case 'l': case 'q': case 'n':
        return PyLong_FromLongLong(f->itemsize == 4 ? (int32_t)load(p, f) : (int64_t)load(p, f));
    case 'H': case 'I': case 'L': case 'Q': case 'N': case 'P':
        return PyLong_FromUnsignedLongLong(load(p, f));
    case 'd': return PyFloat_FromDouble(PyFloat_Unpack8(p, f->little));
    case 'f': return PyFloat_FromDouble(PyFloat_Unpack4(p, f->little));
    case 'e': return PyFloat_FromDouble(PyFloat_Unpack2(p, f->little));
    case '?': return PyBool_FromLong(*p != 0);
    case 's': return PyBytes_FromStringAndSize(p, f->size);
    case 'p': {
        if (f->size == 0) return PyBytes_FromStringAndSize(NULL, 0);
        Py_ssize_t n = (unsigned char)*p;
        return PyBytes_FromStringAndSize(p + 1, n < f->size ? n : f->size - 1);
    }
    default: return PyBytes_FromStringAndSize(p, 1);         /* 'c' */
    }
}

static PyObject *unpack_all(Struct *s, const char *p)
{
    PyObject *tuple = PyTuple_New(s->count);
    if (!tuple) return NULL;
    Py_ssize_t at = 0;
    for (const Field *f = s->layout->fields; f->code; f++) {
        const char *q = p + f->offset;
        for (Py_ssize_t i = f->repeat; i--; q += f->size) {
            PyObject *item = unpack_item(q, f);
            if (!item) {
                Py_DECREF(tuple);
                return NULL;
            }
            PyTuple_SET_ITEM(tuple, at++, item);
        }
    }
    return tuple;
}

static int require_ready(Struct *s)
{
    if (LIKELY(s->layout != NULL)) return 0;
    PyErr_SetString(PyExc_RuntimeError, "Struct object is not initialized");
    return -1;
}

static PyObject *struct_unpack(StructState *state, Struct *s, PyObject *source)
{
    Py_buffer view;
    if (require_ready(s) < 0 || PyObject_GetBuffer(source, &view, PyBUF_SIMPLE) < 0) return NULL;
    PyObject *result = NULL;
    if (view.len != s->size) PyErr_Format(state->error, "unpack requires a buffer of %zd bytes", s->size);
    else result = unpack_all(s, view.buf);
    PyBuffer_Release(&view);
    return result;
}

static PyObject *struct_unpack_from(StructState *state, Struct *s, PyObject *source, PyObject *offset_object)
{
    Py_ssize_t offset = 0;
    if (offset_object) {
        PyObject *index = PyNumber_Index(offset_object);
        if (!index) return NULL;
        offset = PyLong_AsSsize_t(index);
        Py_DECREF(index);
        if (offset == -1 && PyErr_Occurred()) return NULL;
    }
    Py_buffer view;
    if (require_ready(s) < 0 || PyObject_GetBuffer(source, &view, PyBUF_SIMPLE) < 0) return NULL;
    PyObject *result = NULL;
    if (offset < 0) {
        if (offset + s->size > 0) {
            PyErr_Format(state->error, "not enough data to unpack %zd bytes at offset %zd", s->size, offset);
            goto done;
        }
        if (offset + view.len < 0) {
            PyErr_Format(state->error, "offset %zd out of range for %zd-byte buffer", offset, view.len);
            goto done;
        }
        offset += view.len;
    }
    if (view.len - offset < s->size) {
        PyErr_Format(state->error, "unpack_from requires a buffer of at least %zu bytes for unpacking %zd bytes at offset %zd "
                     "(actual buffer size is %zd)", (size_t)s->size + (size_t)offset, s->size, offset, view.len);
        goto done;
    }
    result = unpack_all(s, (char *)view.buf + offset);
done:
    PyBuffer_Release(&view);
    return result;
}

/* ---- iterator ------------------------------------------------------------------------------------------------------------------------------------ */

typedef struct UnpackIterator {
    PyObject_HEAD
    Struct *format;                           /* NULL when exhausted */
    Py_buffer view;
    Py_ssize_t index, size;                   /* size: of an item */
} UnpackIterator;

#define ITERATOR(o) ((UnpackIterator *)(o))

static int iterator_clear(PyObject *o)
{
    Py_CLEAR(ITERATOR(o)->format);
    PyBuffer_Release(&ITERATOR(o)->view);
    return 0;
}

static int iterator_traverse(PyObject *o, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(o));
    Py_VISIT(ITERATOR(o)->format);
    Py_VISIT(ITERATOR(o)->view.obj);
    return 0;
}

static void iterator_dealloc(PyObject *o)
{
    PyTypeObject *type = Py_TYPE(o);
    PyObject_GC_UnTrack(o);
    iterator_clear(o);
    PyObject_GC_Del(o);
    Py_DECREF(type);
}

static PyObject *iterator_next(PyObject *o)
{
    UnpackIterator *it = ITERATOR(o);
    if (!it->format) return NULL;
    if (it->index >= it->view.len) {
        iterator_clear(o);
        return NULL;
    }
    if (UNLIKELY(it->format->size != it->size)) {
        PyErr_SetString(PyExc_RuntimeError, "the Struct was given another format meanwhile");
        return NULL;
    }
    PyObject *result = unpack_all(it->format, (char *)it->view.buf + it->index);
    it->index += it->size;
    return result;
}

BUILTIN_NOARGS(iterator, __length_hint__, "($self, /)", "How many items are left.")
{
    UnpackIterator *it = ITERATOR(self);
    return PyLong_FromSsize_t(it->format ? (it->view.len - it->index) / it->size : 0);
}

static PyMethodDef iterator_methods[] = { METHOD(iterator, __length_hint__), {0} };

static PyType_Slot iterator_slots[] = {
    { Py_tp_dealloc, iterator_dealloc }, { Py_tp_getattro, PyObject_GenericGetAttr }, { Py_tp_traverse, iterator_traverse },
    { Py_tp_clear, iterator_clear }, { Py_tp_iter, PyObject_SelfIter }, { Py_tp_iternext, iterator_next },
    { Py_tp_methods, iterator_methods }, {0},
};

static PyType_Spec iterator_spec = {
    .name = "_struct.unpack_iterator",
    .basicsize = sizeof(UnpackIterator),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = iterator_slots,
};

static PyObject *struct_iter_unpack(StructState *state, Struct *s, PyObject *source)
{
    if (require_ready(s) < 0) return NULL;
    if (s->size == 0) {
        PyErr_SetString(state->error, "cannot iteratively unpack with a struct of length 0");
        return NULL;
    }
    UnpackIterator *it = (UnpackIterator *)PyType_GenericAlloc(state->iterator_type, 0);
    if (!it) return NULL;
    if (PyObject_GetBuffer(source, &it->view, PyBUF_SIMPLE) < 0) {
        it->view.obj = NULL;
        Py_DECREF(it);
        return NULL;
    }
    it->size = s->size;                                    /* not before: a __buffer__ method may change the format */
    if (it->size <= 0 || it->view.len % it->size != 0) {
        PyErr_Format(state->error, "iterative unpacking requires a buffer of a multiple of %zd bytes", it->size);
        Py_DECREF(it);
        return NULL;
    }
    it->format = STRUCT(Py_NewRef(s));
    return OBJECT(it);
}

/* ---- Struct --------------------------------------------------------------------------------------------------------------------------------------- */

static PyObject *struct_new(PyTypeObject *type, PyObject *Py_UNUSED(args), PyObject *Py_UNUSED(kwargs))
{
    allocfunc alloc = PyType_GetSlot(type, Py_tp_alloc);
    Struct *s = STRUCT(alloc(type, 0));
    if (!s) return NULL;
    s->size = s->count = -1;
    s->layout = NULL;
    s->format = NULL;
    s->weakreflist = NULL;
    return OBJECT(s);
}

static int struct_set_format(StructState *state, Struct *s, PyObject *format)
{
    PyObject *bytes;
    if (PyUnicode_Check(format)) {
        if (!(bytes = PyUnicode_AsASCIIString(format))) return -1;
    }
    else if (PyBytes_Check(format)) bytes = Py_NewRef(format);
    else {
        PyErr_Format(PyExc_TypeError, "Struct() argument 1 must be a str or bytes object, not %.200s", Py_TYPE(format)->tp_name);
        return -1;
    }
    const char *text = PyBytes_AS_STRING(bytes);
    if (strlen(text) != (size_t)PyBytes_GET_SIZE(bytes)) {
        PyErr_SetString(state->error, "embedded null character");
        Py_DECREF(bytes);
        return -1;
    }
    if (compile(state, s, text) < 0) {
        Py_DECREF(bytes);
        return -1;
    }
    Py_XSETREF(s->format, bytes);
    return 0;
}

SIGNATURE(struct_signature, "Struct", KEYWORDS, "(format)");

static int struct_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    PyObject *arg[1];
    if (args_bind_tuple(&struct_signature, args, kwargs, arg) < 0) return -1;
    StructState *state = state_of(self);
    return state ? struct_set_format(state, STRUCT(self), arg[0]) : -1;
}

static int struct_traverse(PyObject *o, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(o));
    return 0;
}

static int struct_clear(PyObject *o)
{
    Py_CLEAR(STRUCT(o)->format);
    return 0;
}

static void struct_dealloc(PyObject *o)
{
    PyTypeObject *type = Py_TYPE(o);
    PyObject_GC_UnTrack(o);
    if (STRUCT(o)->weakreflist) PyObject_ClearWeakRefs(o);
    layout_release(STRUCT(o)->layout);
    Py_XDECREF(STRUCT(o)->format);
    freefunc free_function = PyType_GetSlot(type, Py_tp_free);
    free_function(o);
    Py_DECREF(type);
}

static PyObject *struct_repr(PyObject *o)
{
    if (require_ready(STRUCT(o)) < 0) return NULL;
    PyObject *format = PyUnicode_DecodeASCII(PyBytes_AS_STRING(STRUCT(o)->format), PyBytes_GET_SIZE(STRUCT(o)->format), "surrogateescape");
    PyObject *name = PyType_GetName(Py_TYPE(o)), *result = format && name ? PyUnicode_FromFormat("%U(%R)", name, format) : NULL;
    Py_XDECREF(format);
    Py_XDECREF(name);
    return result;
}

static PyObject *pack(StructState *state, Struct *s, PyObject *const *args, Py_ssize_t nargs)
{
    if (nargs != s->count) {
        PyErr_Format(state->error, "pack expected %zd items for packing (got %zd)", s->count, nargs);
        return NULL;
    }
    if (s->size == 1) {                       /* one-byte strings are shared */
        char byte;
        return pack_all(state, s, &byte, args) < 0 ? NULL : PyBytes_FromStringAndSize(&byte, 1);
    }
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, s->size);
    if (bytes && s->size && pack_all(state, s, PyBytes_AS_STRING(bytes), args) < 0) Py_CLEAR(bytes);
    else if (bytes && !s->size) {             /* zero-size items are still checked */
        char nothing;
        if (pack_all(state, s, &nothing, args) < 0) Py_CLEAR(bytes);
    }
    return bytes;
}

static PyObject *pack_into(StructState *state, Struct *s, PyObject *const *args, Py_ssize_t nargs)
{
    if (nargs < 2 || nargs - 2 != s->count) {
        if (nargs == 0) PyErr_Format(state->error, "pack_into expected buffer argument");
        else if (nargs == 1) PyErr_Format(state->error, "pack_into expected offset argument");
        else PyErr_Format(state->error, "pack_into expected %zd items for packing (got %zd)", s->count, nargs - 2);
        return NULL;
    }
    Py_buffer view;
    if (!PyArg_Parse(args[0], "w*", &view)) return NULL;
    PyObject *result = NULL;
    Py_ssize_t offset = PyNumber_AsSsize_t(args[1], PyExc_IndexError);
    if (offset == -1 && PyErr_Occurred()) goto done;
    if (offset < 0) {
        if (offset + s->size > 0) {
            PyErr_Format(state->error, "no space to pack %zd bytes at offset %zd", s->size, offset);
            goto done;
        }
        if (offset + view.len < 0) {
            PyErr_Format(state->error, "offset %zd out of range for %zd-byte buffer", offset, view.len);
            goto done;
        }
        offset += view.len;
    }
    if (view.len - offset < s->size) {
        PyErr_Format(state->error, "pack_into requires a buffer of at least %zu bytes for packing %zd bytes at offset %zd "
                     "(actual buffer size is %zd)", (size_t)s->size + (size_t)offset, s->size, offset, view.len);
        goto done;
    }
    if (pack_all(state, s, (char *)view.buf + offset, args + 2) == 0) result = Py_NewRef(Py_None);
done:
    PyBuffer_Release(&view);
    return result;
}

static const char pack_doc[] = "S.pack(v1, v2, ...) -> bytes\n\nThe values as bytes, in the struct's format.";
static const char pack_into_doc[] =
    "S.pack_into(buffer, offset, v1, v2, ...)\n\nWrite the values into a writable buffer at offset, in the struct's format.";

static PyObject *Struct_pack(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    StructState *state = state_of(self);
    return !state || require_ready(STRUCT(self)) < 0 ? NULL : pack(state, STRUCT(self), args, nargs);
}

static PyObject *Struct_pack_into(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    StructState *state = state_of(self);
    return !state || require_ready(STRUCT(self)) < 0 ? NULL : pack_into(state, STRUCT(self), args, nargs);
}

BUILTIN_O(Struct, unpack, "($self, buffer, /)", "The values of a buffer whose size is exactly the struct's.")
{
    StructState *state = state_of(self);
    return state ? struct_unpack(state, STRUCT(self), arg) : NULL;
}

BUILTIN(Struct, unpack_from, KEYWORDS, "($self, /, buffer, offset=0)", "The values in the buffer from offset on.")
{
    StructState *state = state_of(self);
    return state ? struct_unpack_from(state, STRUCT(self), arg[0], arg[1]) : NULL;
}

BUILTIN_O(Struct, iter_unpack, "($self, buffer, /)", "Iterator over the structs that follow each other in the buffer.")
{
    StructState *state = state_of(self);
    return state ? struct_iter_unpack(state, STRUCT(self), arg) : NULL;
}

BUILTIN_NOARGS(Struct, __sizeof__, "($self, /)", "Size of the object in bytes.")
{
    Py_ssize_t size = Py_TYPE(self)->tp_basicsize;
    if (STRUCT(self)->layout) {
        size += (Py_ssize_t)sizeof(Field);
        for (const Field *f = STRUCT(self)->layout->fields; f->code; f++) size += (Py_ssize_t)sizeof(Field);
    }
    return PyLong_FromSsize_t(size);
}

static PyMethodDef Struct_methods[] = {
    METHOD(Struct, iter_unpack),
    { "pack", (PyCFunction)(void (*)(void))Struct_pack, METH_FASTCALL, pack_doc },
    { "pack_into", (PyCFunction)(void (*)(void))Struct_pack_into, METH_FASTCALL, pack_into_doc },
    METHOD(Struct, unpack),
    METHOD(Struct, unpack_from),
    METHOD(Struct, __sizeof__),
    {0},
};

static PyObject *get_format(PyObject *self, void *Py_UNUSED(closure))
{
    if (require_ready(STRUCT(self)) < 0) return NULL;
    return PyUnicode_FromStringAndSize(PyBytes_AS_STRING(STRUCT(self)->format), PyBytes_GET_SIZE(STRUCT(self)->format));
}

static PyObject *get_size(PyObject *self, void *Py_UNUSED(closure)) { return PyLong_FromSsize_t(STRUCT(self)->size); }

static PyGetSetDef Struct_getset[] = {
    { "format", get_format, NULL, "the format string", NULL },
    { "size", get_size, NULL, "the size of the struct in bytes", NULL },
    {0},
};

static PyMemberDef Struct_members[] = {
    { "__weaklistoffset__", Py_T_PYSSIZET, offsetof(Struct, weakreflist), Py_READONLY },
    {0},
};

PyDoc_STRVAR(Struct_doc, "Struct(fmt) --> a compiled format: packs and unpacks without reading the format text again");

static PyType_Slot Struct_slots[] = {
    { Py_tp_dealloc, struct_dealloc }, { Py_tp_getattro, PyObject_GenericGetAttr }, { Py_tp_setattro, PyObject_GenericSetAttr },
    { Py_tp_repr, struct_repr }, { Py_tp_doc, (void *)(uintptr_t)Struct_doc }, { Py_tp_traverse, struct_traverse },
    { Py_tp_clear, struct_clear }, { Py_tp_methods, Struct_methods }, { Py_tp_members, Struct_members },
    { Py_tp_getset, Struct_getset }, { Py_tp_init, struct_init }, { Py_tp_alloc, PyType_GenericAlloc }, { Py_tp_new, struct_new },
    { Py_tp_free, PyObject_GC_Del }, {0},
};

static PyType_Spec Struct_spec = {
    .name = "_struct.Struct",
    .basicsize = sizeof(Struct),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = Struct_slots,
};

/* ---- module functions --------------------------------------------------------------------------------------------------------------------------- */

/* The compiled struct of a format. New reference. */
static Struct *cached(StructState *state, PyObject *format)
{
    PyObject *found;
    if (PyDict_GetItemRef(state->cache, format, &found) != 0) return STRUCT(found);
    found = struct_new(state->struct_type, NULL, NULL);
    if (!found || struct_set_format(state, STRUCT(found), format) < 0) {
        Py_XDECREF(found);
        return NULL;
    }
    if (PyDict_GET_SIZE(state->cache) >= CACHE_SIZE) PyDict_Clear(state->cache);
    if (PyDict_SetItem(state->cache, format, found) < 0) PyErr_Clear();
    return STRUCT(found);
}

#define WITH_STRUCT(format, expression)                          \
    StructState *state = state_of_module(self);                  \
    Struct *s = cached(state, format);                           \
    if (!s) return NULL;                                         \
    PyObject *result = expression;                               \
    Py_DECREF(s);                                                \
    return result;

BUILTIN_NOARGS(module, _clearcache, "($module, /)", "Forget the compiled formats.")
{
    PyDict_Clear(state_of_module(self)->cache);
    Py_RETURN_NONE;
}

BUILTIN_O(module, calcsize, "($module, format, /)", "The size in bytes of the struct that the format describes.")
{
    WITH_STRUCT(arg, PyLong_FromSsize_t(s->size))
}

BUILTIN(module, unpack, POSITIONAL, "($module, format, buffer, /)", "The values of a buffer whose size is exactly the format's.")
{
    WITH_STRUCT(arg[0], struct_unpack(state, s, arg[1]))
}

BUILTIN(module, unpack_from, KEYWORDS, "($module, format, /, buffer, offset=0)", "The values in the buffer from offset on.")
{
    WITH_STRUCT(arg[0], struct_unpack_from(state, s, arg[1], arg[2]))
}

BUILTIN(module, iter_unpack, POSITIONAL, "($module, format, buffer, /)", "Iterator over the structs that follow each other in the buffer.")
{
    WITH_STRUCT(arg[0], struct_iter_unpack(state, s, arg[1]))
}

static const char struct_pack_doc[] = "pack(format, v1, v2, ...) -> bytes\n\nThe values as bytes, in that format.";
static const char struct_pack_into_doc[] =
    "pack_into(format, buffer, offset, v1, v2, ...)\n\nWrite the values into a writable buffer at offset, in that format.";

static PyObject *struct_pack(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    if (nargs == 0) {
        PyErr_SetString(PyExc_TypeError, "missing format argument");
        return NULL;
    }
    WITH_STRUCT(args[0], pack(state, s, args + 1, nargs - 1))
}

static PyObject *struct_pack_into(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    if (nargs == 0) {
        PyErr_SetString(PyExc_TypeError, "missing format argument");
        return NULL;
    }
    WITH_STRUCT(args[0], pack_into(state, s, args + 1, nargs - 1))
}

static PyMethodDef struct_methods[] = {
    METHOD(module, _clearcache),
    METHOD(module, calcsize),
    METHOD(module, iter_unpack),
    { "pack", (PyCFunction)(void (*)(void))struct_pack, METH_FASTCALL, struct_pack_doc },
    { "pack_into", (PyCFunction)(void (*)(void))struct_pack_into, METH_FASTCALL, struct_pack_into_doc },
    METHOD(module, unpack),
    METHOD(module, unpack_from),
    {0},
};

static int struct_exec(PyObject *module)
{
    StructState *state = state_of_module(module);
    if (!(state->cache = PyDict_New())) return -1;
    if (!(state->struct_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &Struct_spec, NULL))) return -1;
    if (PyModule_AddType(module, state->struct_type) < 0) return -1;
    if (!(state->iterator_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &iterator_spec, NULL))) return -1;
    if (!(state->error = PyErr_NewException("struct.error", NULL, NULL))) return -1;
    return PyModule_AddObjectRef(module, "error", state->error);
}

static int struct_module_traverse(PyObject *module, visitproc visit, void *arg)
{
    StructState *state = state_of_module(module);
    Py_VISIT(state->cache);
    Py_VISIT(state->struct_type);
    Py_VISIT(state->iterator_type);
    Py_VISIT(state->error);
    return 0;
}

static int struct_module_clear(PyObject *module)
{
    StructState *state = state_of_module(module);
    Py_CLEAR(state->cache);
    Py_CLEAR(state->struct_type);
    Py_CLEAR(state->iterator_type);
    Py_CLEAR(state->error);
    return 0;
}

static void struct_module_free(void *module) { struct_module_clear(module); }

static PyModuleDef_Slot struct_slots[] = {
    { Py_mod_exec, struct_exec },
    { Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED },
    { Py_mod_gil, Py_MOD_GIL_NOT_USED },
    {0},
};

PyDoc_STRVAR(module_doc,
"Conversion between Python values and C structs.\n"
"\n"
"The first character of a format says byte order, sizes and alignment: '@' (or\n"
"none) native, '=' native order with standard sizes, '<' little-endian, '>' or\n"
"'!' big-endian; only '@' aligns. Then come codes, with counts in front:\n"
"x pad byte, c char, b B signed and unsigned byte, ? _Bool, h H short, i I int,\n"
"l L long, q Q long long, n N ssize_t and size_t, e f d floats of 2, 4, 8 bytes,\n"
"s string, p string with its length in front, P pointer.");

static PyModuleDef struct_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_struct",
    .m_doc = module_doc,
    .m_size = sizeof(StructState),
    .m_methods = struct_methods,
    .m_slots = struct_slots,
    .m_traverse = struct_module_traverse,
    .m_clear = struct_module_clear,
    .m_free = struct_module_free,
};

PyMODINIT_FUNC PyInit__struct(void) { return PyModuleDef_Init(&struct_module); }
