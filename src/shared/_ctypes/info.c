/* The metatypes: one for each kind of ctypes type, all below CType_Type, which holds the Info and what the kinds share. */
#include "ctypes.h"

#include <dlfcn.h>

CTypes *ctypes_state_of_type(PyTypeObject *type)
{
    PyObject *module = PyType_GetModuleByDef(type, &ctypes_module);
    return module ? PyModule_GetState(module) : NULL;
}

static Info *info_place(CTypes *state, PyObject *type)
{
    PyTypeObject *meta = state->meta;
    if (!meta) {                              /* the module was cleared before its types: CType_Type is what stands on type itself */
        for (meta = Py_TYPE(type); meta->tp_base && meta->tp_base != &PyType_Type; meta = meta->tp_base) ;
    }
    return PyObject_GetTypeData(type, meta);
}

Info *info_of_type(CTypes *state, PyObject *type)
{
    if (!PyObject_TypeCheck(type, state->meta)) return NULL;
    Info *info = info_place(state, type);
    return info->initialized ? info : NULL;
}

static CTypes *state_of_class(PyObject *type) { return ctypes_state_of_type(Py_TYPE(type)); }

Info *info_of(PyObject *instance)
{
    CTypes *state = state_of_class((PyObject *)Py_TYPE(instance));
    return state ? info_of_type(state, (PyObject *)Py_TYPE(instance)) : NULL;
}

Info *info_concrete(PyObject *type)
{
    CTypes *state = state_of_class(type);
    if (!state) return NULL;
    Info *info = info_of_type(state, type);
    if (!info) PyErr_SetString(PyExc_TypeError, "abstract class");
    return info;
}

Info *info_start(PyObject *type, Kind kind)
{
    CTypes *state = state_of_class(type);
    if (!state) return NULL;
    Info *info = info_place(state, type);
    if (info->initialized) {
        PyErr_Format(PyExc_SystemError, "StgInfo of '%s' is already initialized.", ((PyTypeObject *)type)->tp_name);
        return NULL;
    }
    info->state = state;
    info->kind = kind;
    info->initialized = true;
    PyObject *base = (PyObject *)((PyTypeObject *)type)->tp_base;
    Info *of_base = base ? info_of_type(state, base) : NULL;
    if (of_base) of_base->final = true;
    return info;
}

bool is_cdata(CTypes *state, PyObject *o) { return PyObject_TypeCheck(o, state->data); }

char *format_copy(const char *prefix, const char *text)
{
    size_t a = strlen(prefix), b = strlen(text);
    char *copy = PyMem_Malloc(a + b + 1);
    if (!copy) {
        PyErr_NoMemory();
        return NULL;
    }
    memcpy(copy, prefix, a);
    memcpy(copy + a, text, b + 1);
    return copy;
}

/* ---- from_address() and its relatives, methods of every metatype ---- */

BUILTIN_O(meta, from_address, "($self, integer, /)", "Make an instance of the data at an address.")
{
    if (!PyLong_Check(arg)) return PyErr_Format(PyExc_TypeError, "integer expected");
    void *address = PyLong_AsVoidPtr(arg);
    if (!address && PyErr_Occurred()) return NULL;
    if (PySys_Audit("ctypes.cdata", "n", (Py_ssize_t)address) < 0) return NULL;
    return cdata_at_address(self, address);
}

static int check_offset(Py_ssize_t offset, Py_ssize_t length, Py_ssize_t size)
{
    if (offset < 0) PyErr_SetString(PyExc_ValueError, "offset cannot be negative");
    else if (size > length - offset)
        PyErr_Format(PyExc_ValueError, "Buffer size too small (%zd instead of at least %zd bytes)", length, size + offset);
    else return 0;
    return -1;
}

static int offset_value(PyObject *o, Py_ssize_t *offset)
{
    *offset = o ? PyNumber_AsSsize_t(o, PyExc_OverflowError) : 0;
    return *offset == -1 && PyErr_Occurred() ? -1 : 0;
}

BUILTIN(meta, from_buffer, POSITIONAL, "($self, obj, offset=0, /)", "Make an instance that shares the memory of a writable buffer.")
{
    Info *info = info_concrete(self);
    Py_ssize_t offset;
    if (!info || offset_value(arg[1], &offset) < 0) return NULL;
    PyObject *view = PyMemoryView_FromObject(arg[0]);
    if (!view) return NULL;
    Py_buffer *buffer = PyMemoryView_GET_BUFFER(view);
    PyObject *result = NULL;
    if (buffer->readonly) PyErr_SetString(PyExc_TypeError, "underlying buffer is not writable");
    else if (!PyBuffer_IsContiguous(buffer, 'C')) PyErr_SetString(PyExc_TypeError, "underlying buffer is not C contiguous");
    else if (check_offset(offset, buffer->len, info->size) == 0 &&
             PySys_Audit("ctypes.cdata/buffer", "nnn", (Py_ssize_t)buffer->buf, buffer->len, offset) == 0 &&
             (result = cdata_at_address(self, (char *)buffer->buf + offset)) && cdata_keep(CDATA(result), -1, Py_NewRef(view)) < 0)
        Py_CLEAR(result);
    Py_DECREF(view);
    return result;
}

BUILTIN(meta, from_buffer_copy, POSITIONAL, "($self, buffer, offset=0, /)", "Make an instance with a copy of what a buffer holds.")
{
    Info *info = info_concrete(self);
    Py_ssize_t offset;
    Py_buffer view;
    if (!info || PyObject_GetBuffer(arg[0], &view, PyBUF_SIMPLE) < 0) return NULL;
    PyObject *result = NULL;
    if (offset_value(arg[1], &offset) == 0 && check_offset(offset, view.len, info->size) == 0 &&
        PySys_Audit("ctypes.cdata/buffer", "nnn", (Py_ssize_t)view.buf, view.len, offset) == 0 &&
        (result = cdata_new((PyTypeObject *)self, NULL, NULL)))
        memcpy(CDATA(result)->ptr, (char *)view.buf + offset, (size_t)info->size);
    PyBuffer_Release(&view);
    return result;
}

BUILTIN(meta, in_dll, POSITIONAL, "($self, dll, name, /)", "Make an instance of a variable of a library.")
{
    const char *name = PyUnicode_Check(arg[1]) ? PyUnicode_AsUTF8(arg[1]) : NULL;
    if (!name) {
        if (!PyErr_Occurred()) PyErr_Format(PyExc_TypeError, "in_dll() argument 2 must be str, not %.50s", Py_TYPE(arg[1])->tp_name);
        return NULL;
    }
    if (PySys_Audit("ctypes.dlsym", "O", arg[1]) < 0) return NULL;
    PyObject *number = PyObject_GetAttrString(arg[0], "_handle");
    if (!number) return NULL;
    void *handle = PyLong_Check(number) ? PyLong_AsVoidPtr(number) : NULL;
    bool integer = PyLong_Check(number);
    Py_DECREF(number);
    if (!integer) return PyErr_Format(PyExc_TypeError, "the _handle attribute of the second argument must be an integer");
    if (!handle && PyErr_Occurred()) return NULL;
    dlerror();
    void *address = dlsym(handle, name);
    if (!address) {
        const char *message = dlerror();
        if (message) return PyErr_Format(PyExc_ValueError, "%s", message);
        return PyErr_Format(PyExc_ValueError, "symbol '%s' not found", name);
    }
    return cdata_at_address(self, address);
}

/* What any kind accepts: an instance, byref() of one, something with _as_parameter_. */
PyObject *function_from_param_generic(CTypes *state, PyObject *type, PyObject *value)
{
    int is = PyObject_IsInstance(value, type);
    if (is) return is < 0 ? NULL : Py_NewRef(value);
    if (Py_IS_TYPE(value, state->argument)) {
        Argument *a = ARGUMENT(value);
        if (a->object && (is = PyObject_IsInstance(a->object, type))) return is < 0 ? NULL : Py_NewRef(value);
        return PyErr_Format(PyExc_TypeError, "expected %s instance instead of pointer to %s", ((PyTypeObject *)type)->tp_name,
                            a->object ? Py_TYPE(a->object)->tp_name : "");
    }
    PyObject *as;
    if (PyObject_GetOptionalAttrString(value, "_as_parameter_", &as) < 0) return NULL;
    if (as) {
        PyObject *result = NULL;
        if (Py_EnterRecursiveCall(" while processing _as_parameter_") == 0) {
            result = PyObject_CallMethod(type, "from_param", "(O)", as);
            Py_LeaveRecursiveCall();
        }
        Py_DECREF(as);
        return result;
    }
    return PyErr_Format(PyExc_TypeError, "expected %s instance instead of %s", ((PyTypeObject *)type)->tp_name, Py_TYPE(value)->tp_name);
}

/* An array as an argument may be given as bytes or str. */
static PyObject *array_from_param(CTypes *state, PyObject *type, Info *info, PyObject *value)
{
    Info *item = info_of_type(state, info->proto);
    char code = item && item->kind == KIND_SIMPLE ? item->code->code : 0;
    if ((code == 'c' && PyBytes_Check(value)) || (code == 'u' && PyUnicode_Check(value))) {
        Py_ssize_t n = code == 'c' ? PyBytes_GET_SIZE(value) : PyUnicode_GET_LENGTH(value);
        if (n > info->length) return PyErr_Format(PyExc_ValueError, "%s too long", code == 'c' ? "byte string" : "string");
        PyObject *array = PyObject_CallNoArgs(type);
        if (array && PyObject_SetAttrString(array, "value", value) < 0) Py_CLEAR(array);
        return array;
    }
    return function_from_param_generic(state, type, value);
}

static PyObject *pointer_from_param(CTypes *state, PyObject *type, Info *info, PyObject *value)
{
    if (value == Py_None) return Py_NewRef(value);
    int is = PyObject_IsInstance(value, info->proto ? info->proto : Py_None);
    if (is < 0) return NULL;
    if (is) {                                 /* as if byref() were around it */
        Argument *a = argument_new(state);
        if (!a) return NULL;
        a->tag = 'P';
        a->ffi = &ffi_type_pointer;
        a->value.p = CDATA(value)->ptr;
        a->object = Py_NewRef(value);
        return (PyObject *)a;
    }
    if (Py_IS_TYPE(value, state->argument) && ARGUMENT(value)->tag == 'P' && ARGUMENT(value)->object &&
        (is = PyObject_IsInstance(ARGUMENT(value)->object, info->proto))) return is < 0 ? NULL : Py_NewRef(value);
    Info *of_value = is_cdata(state, value) ? info_of(value) : NULL;
    if (of_value && (of_value->kind == KIND_POINTER || of_value->kind == KIND_ARRAY) && of_value->proto) {
        is = PyObject_IsSubclass(of_value->proto, info->proto);
        if (is) return is < 0 ? NULL : Py_NewRef(value);
    }
    return function_from_param_generic(state, type, value);
}

BUILTIN_O(meta, from_param, "($self, value, /)", "Convert a Python object into a function call parameter.")
{
    CTypes *state = state_of_class(self);
    Info *info = state ? info_of_type(state, self) : NULL;
    if (!info) return state ? PyErr_Format(PyExc_TypeError, "abstract class") : NULL;
    switch (info->kind) {
    case KIND_SIMPLE: return simple_from_param(state, self, arg);
    case KIND_ARRAY: return array_from_param(state, self, info, arg);
    case KIND_POINTER: return pointer_from_param(state, self, info, arg);
    default: return function_from_param_generic(state, self, arg);
    }
}

static PyMethodDef meta_methods[] = {
    METHOD(meta, from_address), METHOD(meta, from_buffer), METHOD(meta, from_buffer_copy), METHOD(meta, in_dll), METHOD(meta, from_param), { 0 }
};

/* ---- arrays by multiplication, pointers by POINTER() ---- */

PyObject *array_type_of(CTypes *state, PyObject *type, Py_ssize_t length)
{
    if (length < 0) return PyErr_Format(PyExc_ValueError, "Array length must be >= 0, not %zd", length);
    PyObject *key = Py_BuildValue("(On)", type, length), *made = NULL;
    if (!key || PyDict_GetItemRef(state->array_cache, key, &made)) goto done;
    if (!PyType_Check(type)) {
        PyErr_SetString(PyExc_TypeError, "Expected a type object");
        goto done;
    }
    made = PyObject_CallFunction((PyObject *)state->array_meta, "N(O){s:n,s:O}",
                                 PyUnicode_FromFormat("%.200s_Array_%zd", ((PyTypeObject *)type)->tp_name, length), state->array,
                                 "_length_", length, "_type_", type);
    if (made && PyDict_SetItem(state->array_cache, key, made) < 0) Py_CLEAR(made);
done:
    Py_XDECREF(key);
    return made;
}

static PyObject *meta_repeat(PyObject *type, Py_ssize_t length)
{
    CTypes *state = state_of_class(type);
    return state ? array_type_of(state, type, length) : NULL;
}

PyObject *pointer_type_to(CTypes *state, PyObject *type)
{
    PyObject *made = NULL;
    int found = PyDict_GetItemRef(state->pointer_cache, type, &made);
    if (found) return found < 0 ? NULL : made;
    if (PyUnicode_CheckExact(type)) {         /* to be completed by set_type() */
        made = PyObject_CallFunction((PyObject *)state->pointer_meta, "N(O){}", PyUnicode_FromFormat("LP_%U", type), state->pointer);
        PyObject *key = made ? PyLong_FromVoidPtr(made) : NULL;
        if (!key || PyDict_SetItem(state->pointer_cache, key, made) < 0) Py_CLEAR(made);
        Py_XDECREF(key);
        return made;
    }
    if (!PyType_Check(type)) return PyErr_Format(PyExc_TypeError, "must be a ctypes type");
    made = PyObject_CallFunction((PyObject *)state->pointer_meta, "N(O){s:O}", PyUnicode_FromFormat("LP_%s", ((PyTypeObject *)type)->tp_name),
                                 state->pointer, "_type_", type);
    if (made && PyDict_SetItem(state->pointer_cache, type, made) < 0) Py_CLEAR(made);
    return made;
}

/* ---- making types ---- */

/* The namespace's value for a name, else an inherited attribute. 1, 0 or -1. */
static int class_attribute(PyObject *type, const char *name, PyObject **value) { return PyObject_GetOptionalAttrString(type, name, value); }

static int array_init_type(CTypes *state, PyObject *type)
{
    PyObject *length = NULL, *item = NULL;
    int r = -1;
    if (class_attribute(type, "_length_", &length) < 0) return -1;
    if (!length) {
        PyErr_SetString(PyExc_AttributeError, "class must define a '_length_' attribute");
        return -1;
    }
    if (!PyLong_Check(length)) {
        PyErr_SetString(PyExc_TypeError, "The '_length_' attribute must be an integer");
        goto done;
    }
    Py_ssize_t n = PyLong_AsSsize_t(length);
    if (n == -1 && PyErr_Occurred()) {
        if (PyErr_ExceptionMatches(PyExc_OverflowError)) {
            PyObject *zero = PyLong_FromLong(0);
            bool negative = zero && PyObject_RichCompareBool(length, zero, Py_LT) == 1;
            Py_XDECREF(zero);
            if (negative) PyErr_SetString(PyExc_ValueError, "The '_length_' attribute must not be negative");
            else PyErr_SetString(PyExc_OverflowError, "The '_length_' attribute is too large");
        }
        goto done;
    }
    if (n < 0) {
        PyErr_SetString(PyExc_ValueError, "The '_length_' attribute must not be negative");
        goto done;
    }
    if (class_attribute(type, "_type_", &item) < 0) goto done;
    if (!item) {
        PyErr_SetString(PyExc_AttributeError, "class must define a '_type_' attribute");
        goto done;
    }
    Info *of_item = info_of_type(state, item);
    if (!of_item) {
        PyErr_SetString(PyExc_TypeError, "_type_ must have storage info");
        goto done;
    }
    if (of_item->size && n > PY_SSIZE_T_MAX / of_item->size) {
        PyErr_SetString(PyExc_OverflowError, "array too large");
        goto done;
    }
    Info *info = info_start(type, KIND_ARRAY);
    if (!info) goto done;
    info->proto = Py_NewRef(item);
    info->size = of_item->size * n;
    info->align = of_item->align;
    info->length = n;
    info->ffi = &ffi_type_pointer;
    info->code = of_item->kind == KIND_SIMPLE && is_simple_instance(state, item) ? of_item->code : NULL;
    info->has_pointer = of_item->has_pointer || of_item->kind == KIND_POINTER;
    info->ndim = of_item->ndim + 1;
    if (!(info->format = format_copy("", of_item->format ? of_item->format : "B"))) goto done;
    if (!(info->shape = PyMem_Malloc(sizeof *info->shape * (size_t)info->ndim))) {
        PyErr_NoMemory();
        goto done;
    }
    info->shape[0] = n;
    if (of_item->ndim) memcpy(info->shape + 1, of_item->shape, sizeof *info->shape * (size_t)of_item->ndim);
    r = 0;
done:
    Py_DECREF(length);
    Py_XDECREF(item);
    return r;
}

static int pointer_set_proto(CTypes *state, Info *info, PyObject *proto)
{
    if (!proto || !PyType_Check(proto)) {
        PyErr_SetString(PyExc_TypeError, "_type_ must be a type");
        return -1;
    }
    Info *to = info_of_type(state, proto);
    if (!to) {
        PyErr_SetString(PyExc_TypeError, "_type_ must have storage info");
        return -1;
    }
    char *format;
    if (to->ndim) {                           /* pointers to arrays: the shape belongs to the format */
        char shape[256];
        size_t at = 0;
        shape[at++] = '&';
        shape[at++] = '(';
        for (int i = 0; i < to->ndim && at < sizeof shape - 24; i++)
            at += (size_t)snprintf(shape + at, sizeof shape - at, i ? ",%zd" : "%zd", to->shape[i]);
        shape[at++] = ')';
        shape[at] = 0;
        format = format_copy(shape, to->format ? to->format : "B");
    }
    else format = format_copy("&", to->format ? to->format : "B");
    if (!format) return -1;
    PyMem_Free(info->format);
    info->format = format;
    Py_XSETREF(info->proto, Py_NewRef(proto));
    return 0;
}

static int pointer_init_type(CTypes *state, PyObject *type)
{
    PyObject *proto = NULL, *dict = PyType_GetDict((PyTypeObject *)type);       /* not an inherited one */
    int found = dict ? PyDict_GetItemStringRef(dict, "_type_", &proto) : -1;
    Py_XDECREF(dict);
    if (found < 0) return -1;
    Info *info = info_start(type, KIND_POINTER);
    int r = info ? 0 : -1;
    if (info) {
        info->size = info->align = sizeof(void *);
        info->ffi = &ffi_type_pointer;
        info->length = 1;
        info->has_pointer = true;
        if (proto) r = pointer_set_proto(state, info, proto);
    }
    Py_XDECREF(proto);
    return r;
}

BUILTIN_O(pointer_meta, set_type, "($self, type, /)", "Say what an incomplete pointer type points to.")
{
    Info *info = info_concrete(self);
    if (!info || pointer_set_proto(info->state, info, arg) < 0 || PyObject_SetAttrString(self, "_type_", arg) < 0) return NULL;
    Py_RETURN_NONE;
}

static PyMethodDef pointer_meta_methods[] = { METHOD(pointer_meta, set_type), { 0 } };

static int struct_init_type(PyObject *type, Kind kind)
{
    CTypes *state = state_of_class(type);
    PyObject *fields, *dict = PyType_GetDict((PyTypeObject *)type);
    if (!state || !dict) goto fail;
    PyObject *abstract;
    int found = PyDict_GetItemStringRef(dict, "_abstract_", &abstract);
    if (found) {
        Py_DECREF(dict);
        if (found > 0) Py_DECREF(abstract);
        return found > 0 ? 0 : -1;
    }
    if (aggregate_start(state, type, kind) < 0 || (found = PyDict_GetItemStringRef(dict, "_fields_", &fields)) < 0) goto fail;
    Py_DECREF(dict);
    if (!found) return 0;
    int r = PyObject_SetAttrString(type, "_fields_", fields);
    Py_DECREF(fields);
    return r;
fail:
    Py_XDECREF(dict);
    return -1;
}

static int struct_meta_init(PyObject *type, PyObject *args, PyObject *kwargs) { return struct_init_type(type, KIND_STRUCT); }
static int union_meta_init(PyObject *type, PyObject *args, PyObject *kwargs) { return struct_init_type(type, KIND_UNION); }

static int meta_init(PyObject *type, PyObject *args, PyObject *kwargs)
{
    CTypes *state = state_of_class(type);
    if (!state) return -1;
    if (PyObject_TypeCheck(type, state->array_meta)) return array_init_type(state, type);
    if (PyObject_TypeCheck(type, state->pointer_meta)) return pointer_init_type(state, type);
    if (PyObject_TypeCheck(type, state->function_meta)) return function_meta_init_type(state, type);
    if (PyObject_TypeCheck(type, state->simple_meta)) {
        if (PyTuple_GET_SIZE(args) != 3) {
            PyErr_Format(PyExc_TypeError, "type.__new__() takes exactly 3 arguments (%zd given)", PyTuple_GET_SIZE(args));
            return -1;
        }
        PyObject *r = simple_meta_init_type(state, type);
        Py_XDECREF(r);
        return r ? 0 : -1;
    }
    return 0;
}

/* Setting _fields_ lays the structure out. */
static int aggregate_setattro(PyObject *type, PyObject *name, PyObject *value)
{
    if (PyType_Type.tp_setattro(type, name, value) < 0) return -1;
    if (value && PyUnicode_Check(name) && PyUnicode_CompareWithASCIIString(name, "_fields_") == 0) {
        CTypes *state = state_of_class(type);
        return state ? aggregate_set_fields(state, type, value) : -1;
    }
    return 0;
}

static int meta_traverse(PyObject *self, visitproc visit, void *arg)
{
    CTypes *state = state_of_class(self);
    if (state) {
        Info *info = info_place(state, self);
        Py_VISIT(info->proto);
        Py_VISIT(info->argtypes);
        Py_VISIT(info->converters);
        Py_VISIT(info->restype);
    }
    else PyErr_Clear();
    Py_VISIT(Py_TYPE(self));
    return PyType_Type.tp_traverse(self, visit, arg);
}

static int meta_clear(PyObject *self)
{
    CTypes *state = state_of_class(self);
    if (state) {
        Info *info = info_place(state, self);
        Py_CLEAR(info->proto);
        Py_CLEAR(info->argtypes);
        Py_CLEAR(info->converters);
        Py_CLEAR(info->restype);
    }
    else PyErr_Clear();
    return PyType_Type.tp_clear(self);
}

static void meta_dealloc(PyObject *self)
{
    CTypes *state = state_of_class(self);
    if (state) {
        Info *info = info_place(state, self);
        PyMem_Free(info->elements);
        PyMem_Free(info->format);
        PyMem_Free(info->shape);
        Py_CLEAR(info->proto);
        Py_CLEAR(info->argtypes);
        Py_CLEAR(info->converters);
        Py_CLEAR(info->restype);
        info->elements = NULL;
        info->format = NULL;
        info->shape = NULL;
    }
    else PyErr_Clear();
    PyTypeObject *type = Py_TYPE(self);
    PyType_Type.tp_dealloc(self);
    Py_DECREF(type);
}

static PyType_Slot meta_slots[] = {
    { Py_tp_traverse, meta_traverse }, { Py_tp_clear, meta_clear }, { Py_tp_dealloc, meta_dealloc }, { Py_tp_methods, meta_methods },
    { Py_sq_repeat, meta_repeat }, { Py_tp_doc, (char *)"metatype of all types of C data" }, { 0, NULL }
};
static PyType_Slot struct_meta_slots[] = {
    { Py_tp_init, struct_meta_init }, { Py_tp_setattro, aggregate_setattro }, { Py_tp_doc, (char *)"metatype of structures" }, { 0, NULL }
};
static PyType_Slot union_meta_slots[] = {
    { Py_tp_init, union_meta_init }, { Py_tp_setattro, aggregate_setattro }, { Py_tp_doc, (char *)"metatype of unions" }, { 0, NULL }
};
static PyType_Slot pointer_meta_slots[] = {
    { Py_tp_init, meta_init }, { Py_tp_methods, pointer_meta_methods }, { Py_tp_doc, (char *)"metatype of pointers" }, { 0, NULL }
};
static PyType_Slot array_meta_slots[] = { { Py_tp_init, meta_init }, { Py_tp_doc, (char *)"metatype of arrays" }, { 0, NULL } };
static PyType_Slot simple_meta_slots[] = { { Py_tp_init, meta_init }, { Py_tp_doc, (char *)"metatype of simple types" }, { 0, NULL } };
static PyType_Slot function_meta_slots[] = { { Py_tp_init, meta_init }, { Py_tp_doc, (char *)"metatype of function types" }, { 0, NULL } };

int ctypes_add_metatypes(PyObject *module, CTypes *state)
{
    enum { FLAGS = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE };
    PyType_Spec base = { "_ctypes.CType_Type", -(int)sizeof(Info), 0, FLAGS | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC, meta_slots };
    state->meta = (PyTypeObject *)PyType_FromModuleAndSpec(module, &base, (PyObject *)&PyType_Type);
    if (!state->meta) return -1;
    struct { PyTypeObject **place; const char *name; PyType_Slot *slots; bool subclassed; } kinds[] = {
        { &state->struct_meta, "_ctypes.PyCStructType", struct_meta_slots, true }, { &state->union_meta, "_ctypes.UnionType", union_meta_slots, true },
        { &state->pointer_meta, "_ctypes.PyCPointerType", pointer_meta_slots, true }, { &state->array_meta, "_ctypes.PyCArrayType", array_meta_slots, true },
        { &state->simple_meta, "_ctypes.PyCSimpleType", simple_meta_slots, true }, { &state->function_meta, "_ctypes.PyCFuncPtrType", function_meta_slots, true },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++) {
        PyType_Spec spec = { kinds[i].name, 0, 0, FLAGS | (kinds[i].subclassed ? Py_TPFLAGS_BASETYPE : 0), kinds[i].slots };
        *kinds[i].place = (PyTypeObject *)PyType_FromModuleAndSpec(module, &spec, (PyObject *)state->meta);
        if (!*kinds[i].place) return -1;
    }
    return 0;
}
