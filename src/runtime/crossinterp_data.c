/* Data that crosses from one interpreter to another (crossinterp.h): copies in C memory, and buffers.
 *
 * A buffer is not copied: its exporter stays exported until the last view in any interpreter is gone, and is then released in
 * the interpreter that it belongs to. When that one ended before, nobody releases it: its heap outlives it (state.c). */
#include "runtime/crossinterp.h"
#include "runtime/runtime_private.h"
#include "runtime/state.h"

#include <stdlib.h>
#include <string.h>

#define P (&_PyRuntime.runtime)

void shared_lock(void) { pthread_mutex_lock(&P->shared); }
void shared_unlock(void) { pthread_mutex_unlock(&P->shared); }

typedef struct SharedBuffer { int64_t owner; int references; Py_buffer view; } SharedBuffer;

typedef enum SharedKind {
    SHARED_NONE, SHARED_BOOL, SHARED_INT, SHARED_FLOAT, SHARED_BYTES, SHARED_STR, SHARED_TUPLE, SHARED_BUFFER, SHARED_INSTANCE,
} SharedKind;

struct SharedValue {
    SharedKind kind;
    int detail;                               /* of an instance */
    Py_ssize_t length;                        /* bytes of data, or items; the number of an instance */
    union {
        bool truth; Py_ssize_t integer; double real; char *data; struct SharedValue *items; SharedBuffer *buffer;
        const ShareableClass *class;
    } as;
};

struct SharedItem { SharedItem *next; char *name; SharedValue value; };

/* ---- registered classes ---------------------------------------------------------------------------------------------- */

/* The interpreter's dict of them: address of the type -> (type, address of the description). BORROWED. */
static PyObject *classes_get(bool make)
{
    RuntimeState *r = &interp_get()->runtime;
    if (!r->extra && (!make || !(r->extra = PyDict_New()))) return NULL;
    PyObject *name = PyUnicode_InternFromString("interpreters.shareable");
    PyObject *classes = name ? PyDict_GetItemWithError(r->extra, name) : NULL;
    if (name && !classes && make && !PyErr_Occurred()) {
        PyObject *dict = PyDict_New();
        if (dict && PyDict_SetItem(r->extra, name, dict) == 0) classes = dict;
        Py_XDECREF(dict);
    }
    Py_XDECREF(name);
    return classes;
}

int crossinterp_register(PyTypeObject *type, const ShareableClass *class)
{
    PyObject *classes = classes_get(true), *key = NULL, *value = NULL;
    int status = -1;
    if (classes && (key = PyLong_FromVoidPtr(type)) && (value = Py_BuildValue("(ON)", type, PyLong_FromVoidPtr((void *)class))))
        status = PyDict_SetItem(classes, key, value);
    Py_XDECREF(key);
    Py_XDECREF(value);
    return status;
}

/* NULL when the type is not registered; no exception. */
static const ShareableClass *class_find(PyTypeObject *type)
{
    if (!(type->tp_flags & Py_TPFLAGS_HEAPTYPE)) return NULL;
    PyObject *classes = classes_get(false), *key = classes ? PyLong_FromVoidPtr(type) : NULL;
    PyObject *found = key ? PyDict_GetItemWithError(classes, key) : NULL;
    const ShareableClass *class = found ? PyLong_AsVoidPtr(PyTuple_GET_ITEM(found, 1)) : NULL;
    Py_XDECREF(key);
    if (UNLIKELY(!class && PyErr_Occurred())) PyErr_Clear();
    return class;
}

bool crossinterp_is_shareable(PyObject *o)
{
    return o == Py_None || PyBool_Check(o) || PyLong_CheckExact(o) || PyFloat_CheckExact(o) || PyBytes_CheckExact(o) || PyUnicode_CheckExact(o)
           || PyTuple_CheckExact(o) || PyMemoryView_Check(o) || class_find(Py_TYPE(o));
}

/* ---- buffers ------------------------------------------------------------------------------------------------------- */

static int buffer_release(void *argument)
{
    SharedBuffer *buffer = argument;
    PyBuffer_Release(&buffer->view);
    free(buffer);
    return 0;
}

static void buffer_drop(SharedBuffer *buffer)
{
    if (__atomic_sub_fetch(&buffer->references, 1, __ATOMIC_ACQ_REL) > 0) return;
    if (thread_current && interp_get()->runtime.id == buffer->owner) buffer_release(buffer);
    else pending_add_to(buffer->owner, buffer_release, buffer);
}

static int buffer_pack(SharedValue *v, PyObject *o)
{
    SharedBuffer *buffer = calloc(1, sizeof *buffer);
    if (!buffer) {
        PyErr_NoMemory();
        return -1;
    }
    if (PyObject_GetBuffer(o, &buffer->view, PyBUF_FULL_RO) < 0) {
        free(buffer);
        return -1;
    }
    buffer->owner = interp_get()->runtime.id;
    buffer->references = 1;
    v->kind = SHARED_BUFFER;
    v->as.buffer = buffer;
    return 0;
}

/* What a memoryview of another interpreter's buffer looks at. */
typedef struct BufferView { PyObject_HEAD SharedBuffer *buffer; } BufferView;

static void buffer_view_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    buffer_drop(((BufferView *)self)->buffer);
    type->tp_free(self);
    Py_DECREF(type);
}

static int buffer_view_get(PyObject *self, Py_buffer *view, int flags)
{
    /* The exporter agreed to all that can be asked; as CPython does, every view has all of it. */
    *view = ((BufferView *)self)->buffer->view;
    view->obj = Py_NewRef(self);
    return 0;
}

static PyType_Slot buffer_view_slots[] = {
    { Py_tp_dealloc, buffer_view_dealloc }, { Py_bf_getbuffer, buffer_view_get }, { 0 }
};
static PyType_Spec buffer_view_spec = {
    .name = "_interpreters.CrossInterpreterBufferView", .basicsize = sizeof(BufferView), .slots = buffer_view_slots,
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE,
};

PyObject *crossinterp_buffer_view_type(void)
{
    RuntimeState *r = &interp_get()->runtime;
    if (!r->extra && !(r->extra = PyDict_New())) return NULL;
    PyObject *name = PyUnicode_InternFromString("interpreters.buffer_view");
    PyObject *type = name ? PyDict_GetItemWithError(r->extra, name) : NULL;
    if (name && !type && !PyErr_Occurred()) {
        PyObject *made = PyType_FromSpec(&buffer_view_spec);
        if (made && PyDict_SetItem(r->extra, name, made) == 0) type = made;
        Py_XDECREF(made);
    }
    Py_XDECREF(name);
    return type;
}

static PyObject *buffer_unpack(const SharedValue *v)
{
    PyTypeObject *type = (PyTypeObject *)crossinterp_buffer_view_type();
    BufferView *o = type ? (BufferView *)type->tp_alloc(type, 0) : NULL;
    if (!o) return NULL;
    o->buffer = v->as.buffer;
    __atomic_add_fetch(&o->buffer->references, 1, __ATOMIC_RELAXED);
    PyObject *view = PyMemoryView_FromObject(OBJECT(o));
    Py_DECREF(o);
    return view;
}

/* ---- values -------------------------------------------------------------------------------------------------------- */

static int copy_data(SharedValue *v, SharedKind kind, const char *data, Py_ssize_t n)
{
    if (!(v->as.data = malloc((size_t)n + 1))) {
        PyErr_NoMemory();
        return -1;
    }
    memcpy(v->as.data, data, (size_t)n);
    v->as.data[n] = 0;
    v->kind = kind;
    v->length = n;
    return 0;
}

static void value_free(SharedValue *v)
{
    if (v->kind == SHARED_BYTES || v->kind == SHARED_STR) free(v->as.data);
    if (v->kind == SHARED_TUPLE) {
        for (Py_ssize_t i = 0; i < v->length; i++) value_free(&v->as.items[i]);
        free(v->as.items);
    }
    if (v->kind == SHARED_BUFFER) buffer_drop(v->as.buffer);
    if (v->kind == SHARED_INSTANCE && v->as.class->release) v->as.class->release(v->length, v->detail);
    v->kind = SHARED_NONE;
}

static int value_pack(SharedValue *v, PyObject *o);

static int tuple_pack(SharedValue *v, PyObject *o)
{
    Py_ssize_t n = PyTuple_GET_SIZE(o);
    if (!(v->as.items = calloc((size_t)n + 1, sizeof(SharedValue)))) {
        PyErr_NoMemory();
        return -1;
    }
    v->kind = SHARED_TUPLE;
    if (Py_EnterRecursiveCall(" while sharing a tuple")) return -1;
    int status = 0;
    for (; status == 0 && v->length < n; v->length++) status = value_pack(&v->as.items[v->length], PyTuple_GET_ITEM(o, v->length));
    Py_LeaveRecursiveCall();
    return status;
}

/* *v is zero before; after a failure it is to be freed too. */
static int value_pack(SharedValue *v, PyObject *o)
{
    const ShareableClass *registered;
    if (o == Py_None) v->kind = SHARED_NONE;
    else if (PyBool_Check(o)) *v = (SharedValue){ SHARED_BOOL, .as = { .truth = o == Py_True } };
    else if (PyFloat_CheckExact(o)) *v = (SharedValue){ SHARED_FLOAT, .as = { .real = PyFloat_AS_DOUBLE(o) } };
    else if (PyLong_CheckExact(o)) {
        *v = (SharedValue){ SHARED_INT, .as = { .integer = PyLong_AsSsize_t(o) } };
        if (v->as.integer == -1 && PyErr_Occurred()) {
            if (PyErr_ExceptionMatches(PyExc_OverflowError)) PyErr_SetString(PyExc_OverflowError, "try sending as bytes");
            return -1;
        }
    }
    else if (PyBytes_CheckExact(o)) return copy_data(v, SHARED_BYTES, PyBytes_AS_STRING(o), PyBytes_GET_SIZE(o));
    else if (PyTuple_CheckExact(o)) return tuple_pack(v, o);
    else if (PyUnicode_CheckExact(o)) {
        PyObject *bytes = PyUnicode_AsEncodedString(o, "utf-8", "surrogatepass");
        int status = bytes ? copy_data(v, SHARED_STR, PyBytes_AS_STRING(bytes), PyBytes_GET_SIZE(bytes)) : -1;
        Py_XDECREF(bytes);
        return status;
    }
    else if (PyMemoryView_Check(o)) return buffer_pack(v, o);
    else if ((registered = class_find(Py_TYPE(o)))) {
        int64_t id;
        int detail = 0;
        if (registered->pack(o, &id, &detail) < 0) return -1;
        *v = (SharedValue){ SHARED_INSTANCE, detail, id, { .class = registered } };
    }
    else {
        PyObject *class = crossinterp_not_shareable_error();
        if (class) PyErr_Format(class, "%S does not support cross-interpreter data", o);
        return -1;
    }
    return 0;
}

static PyObject *value_unpack(const SharedValue *v)
{
    switch (v->kind) {
    case SHARED_NONE: Py_RETURN_NONE;
    case SHARED_BOOL: return PyBool_FromLong(v->as.truth);
    case SHARED_INT: return PyLong_FromSsize_t(v->as.integer);
    case SHARED_FLOAT: return PyFloat_FromDouble(v->as.real);
    case SHARED_BYTES: return PyBytes_FromStringAndSize(v->as.data, v->length);
    case SHARED_STR: return PyUnicode_DecodeUTF8(v->as.data, v->length, "surrogatepass");
    case SHARED_BUFFER: return buffer_unpack(v);
    case SHARED_INSTANCE: return v->as.class->unpack(v->length, v->detail);
    case SHARED_TUPLE: break;
    }
    PyObject *tuple = PyTuple_New(v->length);
    for (Py_ssize_t i = 0; tuple && i < v->length; i++) {
        PyObject *item = value_unpack(&v->as.items[i]);
        if (item) PyTuple_SET_ITEM(tuple, i, item);
        else Py_CLEAR(tuple);
    }
    return tuple;
}

SharedValue *crossinterp_value_new(PyObject *o)
{
    SharedValue *v = calloc(1, sizeof *v);
    if (!v) PyErr_NoMemory();
    else if (value_pack(v, o) < 0) {
        crossinterp_value_free(v);
        v = NULL;
    }
    return v;
}

PyObject *crossinterp_value_object(const SharedValue *value) { return value_unpack(value); }

void crossinterp_value_free(SharedValue *value)
{
    if (!value) return;
    value_free(value);
    free(value);
}

void crossinterp_free(SharedItem *items)
{
    for (SharedItem *next; items; items = next) {
        next = items->next;
        value_free(&items->value);
        free(items->name);
        free(items);
    }
}

int crossinterp_pack(PyObject *dict, SharedItem **items)
{
    *items = NULL;
    PyObject *list = PyDict_Items(dict);         /* packing runs no code of others, but stays away from a changing dict */
    for (Py_ssize_t i = 0; list && i < PyList_GET_SIZE(list); i++) {
        PyObject *pair = PyList_GET_ITEM(list, i);
        Py_ssize_t length;
        const char *name = PyUnicode_AsUTF8AndSize(PyTuple_GET_ITEM(pair, 0), &length);
        if (name && strlen(name) != (size_t)length) {
            PyErr_SetString(PyExc_ValueError, "embedded null character");
            name = NULL;
        }
        SharedItem *item = name ? calloc(1, sizeof *item) : NULL;
        if (item) {
            item->next = *items;
            *items = item;
            if ((item->name = strdup(name)) && value_pack(&item->value, PyTuple_GET_ITEM(pair, 1)) == 0) continue;
        }
        if (!PyErr_Occurred()) PyErr_NoMemory();
        Py_CLEAR(list);
    }
    if (list) {
        Py_DECREF(list);
        return 0;
    }
    crossinterp_free(*items);
    *items = NULL;
    return -1;
}

int crossinterp_unpack(const SharedItem *items, PyObject *dict)
{
    for (; items; items = items->next) {
        PyObject *value = value_unpack(&items->value);
        int status = value ? PyDict_SetItemString(dict, items->name, value) : -1;
        Py_XDECREF(value);
        if (status < 0) return -1;
    }
    return 0;
}
