/* CData, the base of all instances: memory, views into other instances, assignment, what is kept alive, buffers, pickling. */
#define PY_SSIZE_T_CLEAN
#include "ctypes.h"

/* ---- making and freeing ---- */

static CData *cdata_alloc(PyTypeObject *type, Info *info)
{
    CData *data = (CData *)type->tp_alloc(type, 0);
    if (!data) return NULL;
    data->size = info->size;
    data->length = info->length;
    info->final = true;
    return data;
}

PyObject *cdata_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    Info *info = info_concrete((PyObject *)type);
    CData *data = info ? cdata_alloc(type, info) : NULL;
    if (!data) return NULL;
    if (info->size <= (Py_ssize_t)sizeof data->value) data->ptr = data->value;
    else {
        data->ptr = PyMem_Calloc(1, (size_t)info->size);
        if (!data->ptr) {
            Py_DECREF(data);
            return PyErr_NoMemory();
        }
    }
    data->owns = true;
    return (PyObject *)data;
}

PyObject *cdata_view(PyObject *type, CData *base, Py_ssize_t index, char *ptr)
{
    Info *info = info_concrete(type);
    CData *data = info ? cdata_alloc((PyTypeObject *)type, info) : NULL;
    if (!data) return NULL;
    data->ptr = ptr;
    data->base = (CData *)Py_XNewRef(base);
    data->index = index;
    return (PyObject *)data;
}

PyObject *cdata_at_address(PyObject *type, void *address) { return cdata_view(type, NULL, 0, address); }

static int cdata_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(CDATA(self)->objects);
    Py_VISIT((PyObject *)CDATA(self)->base);
    return 0;
}

static int cdata_clear(PyObject *self)
{
    CData *data = CDATA(self);
    Py_CLEAR(data->objects);
    if (data->owns && data->ptr != data->value) PyMem_Free(data->ptr);
    data->owns = false;
    data->ptr = NULL;
    Py_CLEAR(data->base);
    return 0;
}

static void cdata_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    cdata_clear(self);
    type->tp_free(self);
    Py_DECREF(type);
}

/* ---- what is kept alive ---- */

PyObject *cdata_kept(CData *data)
{
    while (data->base) data = data->base;
    if (!data->objects) data->objects = data->length ? PyDict_New() : Py_NewRef(Py_None);
    return data->objects;
}

/* "1:0": the indices from the place up to the outermost instance. */
static PyObject *key_of(CData *data, Py_ssize_t index)
{
    char text[256];
    size_t at = (size_t)snprintf(text, sizeof text, "%zx", index);
    for (; data->base; data = data->base) {
        if (at > sizeof text - 20) return PyErr_Format(PyExc_ValueError, "ctypes object structure too deep");
        at += (size_t)snprintf(text + at, sizeof text - at, ":%zx", data->index);
    }
    return PyUnicode_FromStringAndSize(text, (Py_ssize_t)at);
}

int cdata_keep(CData *owner, Py_ssize_t index, PyObject *object)
{
    if (object == Py_None) {
        Py_DECREF(object);
        return 0;
    }
    CData *outermost = owner;
    while (outermost->base) outermost = outermost->base;
    PyObject *kept = cdata_kept(owner);
    if (!kept || !PyDict_CheckExact(kept)) {
        Py_XSETREF(outermost->objects, object);
        return 0;
    }
    PyObject *key = key_of(owner, index);
    int r = key ? PyDict_SetItem(kept, key, object) : -1;
    Py_XDECREF(key);
    Py_DECREF(object);
    return r;
}

/* ---- reading and assigning a place ---- */

PyObject *cdata_get(CTypes *state, PyObject *type, const Code *code, CData *owner, Py_ssize_t index, Py_ssize_t size, char *ptr)
{
    if (code) return code->get(ptr, size);
    Info *info = info_of_type(state, type);
    if (info && info->kind == KIND_SIMPLE && is_simple_instance(state, type)) return info->code->get(ptr, size);
    return cdata_view(type, owner, index, ptr);
}

/* Stores value at ptr; what must be kept alive for it, NEW. */
static PyObject *store(CTypes *state, CData *owner, PyObject *type, const Code *code, PyObject *value, Py_ssize_t size, char *ptr)
{
    if (code) return code->set(ptr, value, size);
    Info *info = info_of_type(state, type);
    if (!info) return PyErr_Format(PyExc_TypeError, "not a ctypes type");
    if (!is_cdata(state, value)) {
        if (info->kind == KIND_SIMPLE) return info->code->set(ptr, value, size);
        if (PyTuple_Check(value)) {
            PyObject *made = PyObject_CallObject(type, value);
            if (!made) {                      /* say where: in the field of this type */
                PyObject *error = PyErr_GetRaisedException(), *text = PyObject_Str(error);
                if (text) PyErr_Format(PyExc_RuntimeError, "(%s) %s: %U", ((PyTypeObject *)type)->tp_name, Py_TYPE(error)->tp_name, text);
                Py_XDECREF(text);
                Py_DECREF(error);
                return NULL;
            }
            PyObject *kept = store(state, owner, type, NULL, made, size, ptr);
            Py_DECREF(made);
            return kept;
        }
        if (info->kind == KIND_POINTER && value == Py_None) {
            *(void **)ptr = NULL;
            Py_RETURN_NONE;
        }
        return PyErr_Format(PyExc_TypeError, "expected %s instance, got %s", ((PyTypeObject *)type)->tp_name, Py_TYPE(value)->tp_name);
    }
    CData *source = CDATA(value);
    int is = PyObject_IsInstance(value, type);
    if (is < 0) return NULL;
    if (is) {
        memmove(ptr, source->ptr, (size_t)size);
        return Py_XNewRef(cdata_kept(source));
    }
    Info *of_value = info_of(value);
    if (info->kind == KIND_POINTER && of_value && of_value->kind == KIND_ARRAY) {
        if (of_value->proto != info->proto)
            return PyErr_Format(PyExc_TypeError, "incompatible types, %s instance instead of %s instance", Py_TYPE(value)->tp_name, ((PyTypeObject *)type)->tp_name);
        *(void **)ptr = source->ptr;
        PyObject *kept = cdata_kept(source);
        return kept ? PyTuple_Pack(2, kept, value) : NULL;
    }
    return PyErr_Format(PyExc_TypeError, "incompatible types, %s instance instead of %s instance", Py_TYPE(value)->tp_name, ((PyTypeObject *)type)->tp_name);
}

int cdata_set(CTypes *state, CData *owner, PyObject *type, const Code *code, PyObject *value, Py_ssize_t index, Py_ssize_t size, char *ptr)
{
    PyObject *kept = store(state, owner, type, code, value, size, ptr);
    return kept ? cdata_keep(owner, index, kept) : -1;
}

/* ---- buffers ---- */

int cdata_get_buffer(PyObject *self, Py_buffer *view, int flags)
{
    if (!view) return 0;
    CData *data = CDATA(self);
    Info *info = info_of(self), *item = info;
    if (!info) return -1;
    while (item && item->kind == KIND_ARRAY) item = info_of_type(info->state, item->proto);
    view->buf = data->ptr;
    view->obj = Py_NewRef(self);
    view->len = data->size;
    view->readonly = 0;
    view->format = info->format ? info->format : (char *)"B";
    view->ndim = info->ndim;
    view->shape = info->shape;
    view->itemsize = item ? item->size : data->size;
    view->strides = NULL;
    view->suboffsets = NULL;
    view->internal = NULL;
    return 0;
}

/* ---- attributes and methods ---- */

static PyObject *cdata_base(PyObject *self, void *closure) { return Py_NewRef(CDATA(self)->base ? (PyObject *)CDATA(self)->base : Py_None); }
static PyObject *cdata_needs_free(PyObject *self, void *closure) { return PyLong_FromLong(CDATA(self)->owns); }
static PyObject *cdata_objects(PyObject *self, void *closure) { return Py_NewRef(CDATA(self)->objects ? CDATA(self)->objects : Py_None); }

BUILTIN_NOARGS(cdata, __ctypes_from_outparam__, "($self, /)", "The value an output parameter gives.") { return Py_NewRef(self); }
static Py_hash_t cdata_hash(PyObject *self)
{
    PyErr_SetString(PyExc_TypeError, "unhashable type");
    return -1;
}

BUILTIN_NOARGS(cdata, __reduce__, "($self, /)", "Pickle the bytes.")
{
    Info *info = info_of(self);
    if (!info) return NULL;
    if (info->has_pointer || info->kind == KIND_FUNCTION) return PyErr_Format(PyExc_ValueError, "ctypes objects containing pointers cannot be pickled");
    PyObject *dict = PyObject_GetAttrString(self, "__dict__");
    if (!dict) return NULL;
    return Py_BuildValue("O(O(NN))", info->state->unpickle, Py_TYPE(self), dict, PyBytes_FromStringAndSize(CDATA(self)->ptr, CDATA(self)->size));
}


static PyObject *restore_state(PyObject *self, PyObject *state)
{
    PyObject *dict;
    const char *data;
    Py_ssize_t n;
    if (!PyArg_ParseTuple(state, "O!s#", &PyDict_Type, &dict, &data, &n)) return NULL;
    memcpy(CDATA(self)->ptr, data, (size_t)(n < CDATA(self)->size ? n : CDATA(self)->size));
    PyObject *mine = PyObject_GetAttrString(self, "__dict__");
    if (mine && !PyDict_Check(mine)) {
        PyErr_Format(PyExc_TypeError, "%.200s.__dict__ must be a dictionary, not %.200s", Py_TYPE(self)->tp_name, Py_TYPE(mine)->tp_name);
        Py_CLEAR(mine);
    }
    int r = mine ? PyDict_Update(mine, dict) : -1;
    Py_XDECREF(mine);
    if (r < 0) return NULL;
    Py_RETURN_NONE;
}

static PyMethodDef cdata_methods[] = {
    METHOD(cdata, __ctypes_from_outparam__), METHOD(cdata, __reduce__), { "__setstate__", restore_state, METH_VARARGS, NULL }, { 0 }
};
static PyGetSetDef cdata_getset[] = {
    { "_b_base_", cdata_base, NULL, "the base object", NULL }, { "_b_needsfree_", cdata_needs_free, NULL, "whether the object owns the memory or not", NULL },
    { "_objects", cdata_objects, NULL, "internal objects tree (NEVER CHANGE THIS OBJECT!)", NULL }, { 0 }
};
static PyType_Slot cdata_slots[] = {
    { Py_tp_dealloc, cdata_dealloc }, { Py_tp_traverse, cdata_traverse }, { Py_tp_clear, cdata_clear }, { Py_tp_hash, cdata_hash },
    { Py_tp_methods, cdata_methods }, { Py_tp_getset, cdata_getset }, { Py_tp_doc, (char *)"base of all C data" }, { 0, NULL }
};

int ctypes_add_data(PyObject *module, CTypes *state)
{
    PyType_Spec spec = { "_ctypes._CData", sizeof(CData), 0,
                         Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION, cdata_slots };
    state->data = (PyTypeObject *)PyType_FromMetaclass(state->meta, module, &spec, NULL);
    return state->data ? 0 : -1;
}
