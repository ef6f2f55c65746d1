/* The functions of the _ctypes module, and its start. */
#include "ctypes.h"

#include <dlfcn.h>

static CTypes *module_state(PyObject *module) { return PyModule_GetState(module); }

/* ---- sizes and addresses ---- */

BUILTIN_O(ctypes, sizeof, "($module, obj, /)", "Return the size in bytes of a C instance.")
{
    CTypes *state = module_state(self);
    Info *info = info_of_type(state, arg);
    if (info) return PyLong_FromSsize_t(info->size);
    if (is_cdata(state, arg)) return PyLong_FromSsize_t(CDATA(arg)->size);
    return PyErr_Format(PyExc_TypeError, "this type has no size");
}

BUILTIN_O(ctypes, alignment, "($module, obj, /)", "Return the alignment requirements of a C instance.")
{
    Info *info = info_of_type(module_state(self), arg);
    if (!info && is_cdata(module_state(self), arg)) info = info_of(arg);
    return info ? PyLong_FromSsize_t(info->align) : PyErr_Format(PyExc_TypeError, "no alignment info");
}

BUILTIN(ctypes, byref, POSITIONAL, "($module, obj, offset=0, /)", "Return a pointer lookalike to a C instance, only usable as function argument.")
{
    CTypes *state = module_state(self);
    Py_ssize_t offset = 0;
    if (arg[1] && (offset = PyNumber_AsSsize_t(arg[1], NULL)) == -1 && PyErr_Occurred()) return NULL;
    if (!is_cdata(state, arg[0])) return PyErr_Format(PyExc_TypeError, "byref() argument must be a ctypes instance, not '%s'", Py_TYPE(arg[0])->tp_name);
    Argument *a = argument_new(state);
    if (!a) return NULL;
    a->tag = 'P';
    a->ffi = &ffi_type_pointer;
    a->object = Py_NewRef(arg[0]);
    a->value.p = CDATA(arg[0])->ptr + offset;
    return (PyObject *)a;
}

BUILTIN_O(ctypes, addressof, "($module, obj, /)", "Return the address of the C instance internal buffer.")
{
    if (!is_cdata(module_state(self), arg)) return PyErr_Format(PyExc_TypeError, "invalid type");
    if (PySys_Audit("ctypes.addressof", "(O)", arg) < 0) return NULL;
    return PyLong_FromVoidPtr(CDATA(arg)->ptr);
}

BUILTIN(ctypes, resize, PARSED, "($module, obj, size, /)", "Resize the memory buffer of a ctypes instance.")
{
    CTypes *state = module_state(self);
    Py_ssize_t size = PyNumber_AsSsize_t(arg[1], PyExc_OverflowError);
    if (size == -1 && PyErr_Occurred()) return NULL;
    Info *info = is_cdata(state, arg[0]) ? info_of(arg[0]) : NULL;
    if (!info) return PyErr_Format(PyExc_TypeError, "excepted ctypes instance");
    CData *data = CDATA(arg[0]);
    if (size < info->size) return PyErr_Format(PyExc_ValueError, "minimum size is %zd", info->size);
    if (!data->owns) return PyErr_Format(PyExc_ValueError, "Memory cannot be resized because this object doesn't own it");
    if (size > (Py_ssize_t)sizeof data->value || data->ptr != data->value) {
        char *place = data->ptr == data->value ? PyMem_Calloc(1, (size_t)size) : PyMem_Realloc(data->ptr, (size_t)size);
        if (!place) return PyErr_NoMemory();
        if (data->ptr == data->value) memcpy(place, data->value, (size_t)(data->size < size ? data->size : size));
        else if (size > data->size) memset(place + data->size, 0, (size_t)(size - data->size));
        data->ptr = place;
    }
    data->size = size;
    Py_RETURN_NONE;
}

BUILTIN_O(ctypes, buffer_info, "($module, obj, /)", "Return buffer interface information: format, ndim, shape.")
{
    Info *info = info_of_type(module_state(self), arg);
    if (!info && is_cdata(module_state(self), arg)) info = info_of(arg);
    if (!info) return PyErr_Format(PyExc_TypeError, "not a ctypes type or object");
    PyObject *shape = PyTuple_New(info->ndim);
    for (int i = 0; shape && i < info->ndim; i++) PyTuple_SET_ITEM(shape, i, PyLong_FromSsize_t(info->shape[i]));
    return shape ? Py_BuildValue("siN", info->format, info->ndim, shape) : NULL;
}

/* ---- pointers ---- */

BUILTIN_O(ctypes, POINTER, "($module, type, /)", "Create and return a new ctypes pointer type.") { return pointer_type_to(module_state(self), arg); }

BUILTIN_O(ctypes, pointer, "($module, obj, /)", "Create a new pointer instance, pointing to 'obj'.")
{
    PyObject *type = pointer_type_to(module_state(self), (PyObject *)Py_TYPE(arg));
    PyObject *result = type ? PyObject_CallOneArg(type, arg) : NULL;
    Py_XDECREF(type);
    return result;
}

/* ---- libraries ---- */

BUILTIN(ctypes, dlopen, PARSED, "($module, name, flag=RTLD_NOW, /)", "Open a shared library.")
{
    PyObject *path = NULL;
    int mode = RTLD_NOW;
    if (arg[1] && (mode = PyLong_AsInt(arg[1])) == -1 && PyErr_Occurred()) return NULL;
    if (arg[0] != Py_None && !PyUnicode_FSConverter(arg[0], &path)) return NULL;
    if (PySys_Audit("ctypes.dlopen", "O", arg[0]) < 0) {
        Py_XDECREF(path);
        return NULL;
    }
    void *handle;
    const char *name = path ? PyBytes_AS_STRING(path) : NULL;
    Py_BEGIN_ALLOW_THREADS
    handle = dlopen(name, mode | RTLD_NOW);
    Py_END_ALLOW_THREADS
    Py_XDECREF(path);
    if (!handle) {
        const char *message = dlerror();
        return PyErr_Format(PyExc_OSError, "%s", message ? message : "dlopen() error");
    }
    return PyLong_FromVoidPtr(handle);
}

BUILTIN_O(ctypes, dlclose, "($module, handle, /)", "Close a shared library.")
{
    void *handle = PyLong_AsVoidPtr(arg);
    if (!handle && PyErr_Occurred()) return NULL;
    if (dlclose(handle)) return PyErr_Format(PyExc_OSError, "%s", dlerror());
    Py_RETURN_NONE;
}

BUILTIN(ctypes, dlsym, PARSED, "($module, handle, name, /)", "Find a symbol in a shared library.")
{
    void *handle = PyLong_AsVoidPtr(arg[0]);
    const char *name = handle || !PyErr_Occurred() ? PyUnicode_AsUTF8(arg[1]) : NULL;
    if (!name || PySys_Audit("ctypes.dlsym/handle", "OO", arg[0], arg[1]) < 0) return NULL;
    dlerror();
    void *address = dlsym(handle, name);
    if (address) return PyLong_FromVoidPtr(address);
    const char *message = dlerror();
    if (message) return PyErr_Format(PyExc_OSError, "%s", message);
    return PyErr_Format(PyExc_OSError, "symbol '%s' not found", name);
}

static PyObject *call_with_flags(PyObject *module, PyObject *const *args, Py_ssize_t nargs, int flags)
{
    if (nargs != 2 || !PyTuple_Check(args[1])) return PyErr_Format(PyExc_TypeError, "expected an address and a tuple of arguments");
    void *address = PyLong_AsVoidPtr(args[0]);
    if (!address && PyErr_Occurred()) return NULL;
    if (PySys_Audit("ctypes.call_function", "nO", (Py_ssize_t)address, args[1]) < 0) return NULL;
    return call_address(module_state(module), address, ((PyTupleObject *)args[1])->ob_item, PyTuple_GET_SIZE(args[1]), NULL, -1, NULL, flags);
}

BUILTIN_FAST(ctypes, call_function, "($module, address, arguments, /)", "Call a function at an address.") { return call_with_flags(self, args, nargs, 0); }
BUILTIN_FAST(ctypes, call_cdeclfunction, "($module, address, arguments, /)", "Call a function at an address.") { return call_with_flags(self, args, nargs, FLAG_CDECL); }

/* ---- errno, references ---- */

BUILTIN_NOARGS(ctypes, get_errno, "($module, /)", "This thread's copy of errno.")
{
    if (PySys_Audit("ctypes.get_errno", NULL) < 0) return NULL;
    int *place = ctypes_errno();
    return place ? PyLong_FromLong(*place) : NULL;
}

BUILTIN_O(ctypes, set_errno, "($module, value, /)", "Set this thread's copy of errno; the old value.")
{
    int value = PyLong_AsInt(arg);
    if (value == -1 && PyErr_Occurred()) return NULL;
    if (PySys_Audit("ctypes.set_errno", "(i)", value) < 0) return NULL;
    int *place = ctypes_errno();
    if (!place) return NULL;
    int old = *place;
    *place = value;
    return PyLong_FromLong(old);
}

BUILTIN_O(ctypes, PyObj_FromPtr, "($module, address, /)", "The object at an address.")
{
    PyObject *o = PyLong_AsVoidPtr(arg);
    if (!o && PyErr_Occurred()) return NULL;
    if (PySys_Audit("ctypes.PyObj_FromPtr", "(O)", o) < 0) return NULL;
    return Py_NewRef(o);
}

BUILTIN_O(ctypes, Py_INCREF, "($module, obj, /)", "Add a reference.") { return Py_NewRef(Py_NewRef(arg)); }
BUILTIN_O(ctypes, Py_DECREF, "($module, obj, /)", "Drop a reference.")
{
    Py_INCREF(arg);
    Py_DECREF(arg);
    Py_DECREF(arg);
    return Py_NewRef(arg);
}

BUILTIN(ctypes, _unpickle, UNNAMED_PARSED, "($module, type, state, /)", "Make an instance from its pickled state.")
{
    PyObject *made = PyObject_CallMethod(arg[0], "__new__", "(O)", arg[0]), *r = NULL;
    if (made && PyTuple_Check(arg[1]) && PyTuple_GET_SIZE(arg[1]) == 2)
        r = PyObject_CallMethod(made, "__setstate__", "(OO)", PyTuple_GET_ITEM(arg[1], 0), PyTuple_GET_ITEM(arg[1], 1));
    else if (made) PyErr_SetString(PyExc_TypeError, "bad state");
    if (!r) Py_CLEAR(made);
    Py_XDECREF(r);
    return made;
}

/* ---- functions that ctypes calls by address ---- */

static PyObject *string_at(const char *p, int size)
{
    if (PySys_Audit("ctypes.string_at", "ni", (Py_ssize_t)p, size) < 0) return NULL;
    return size == -1 ? PyBytes_FromString(p) : PyBytes_FromStringAndSize(p, size);
}

static PyObject *wstring_at(const wchar_t *p, int size)
{
    if (PySys_Audit("ctypes.wstring_at", "ni", (Py_ssize_t)p, size) < 0) return NULL;
    return PyUnicode_FromWideChar(p, size == -1 ? (Py_ssize_t)wcslen(p) : size);
}

static PyObject *cast(void *p, PyObject *source, PyObject *type)
{
    CTypes *state = PyType_Check(type) ? ctypes_state_of_type(Py_TYPE(type)) : NULL;
    Info *info = state ? info_of_type(state, type) : NULL;
    PyErr_Clear();
    if (!info || !(info->kind == KIND_POINTER || info->kind == KIND_FUNCTION || (info->kind == KIND_SIMPLE && strchr("sPzUZXO", info->code->code))))
        return PyErr_Format(PyExc_TypeError, "cast() argument 2 must be a pointer type, not %s", PyType_Check(type) ? ((PyTypeObject *)type)->tp_name : Py_TYPE(type)->tp_name);
    PyObject *result = PyObject_CallNoArgs(type);
    if (!result) return NULL;
    CData *data = CDATA(result);
    if (is_cdata(state, source)) {            /* both keep alive what the source kept, and the source itself */
        PyObject *kept = cdata_kept(CDATA(source));
        if (!kept) goto fail;
        data->objects = Py_NewRef(kept);
        if (PyDict_CheckExact(kept)) {
            PyObject *key = PyLong_FromVoidPtr(source);
            int r = key ? PyDict_SetItem(kept, key, source) : -1;
            Py_XDECREF(key);
            if (r < 0) goto fail;
        }
    }
    memcpy(data->ptr, &p, sizeof p);
    return result;
fail:
    Py_DECREF(result);
    return NULL;
}

/* ---- the module ---- */

static PyMethodDef ctypes_methods[] = {
    METHOD(ctypes, sizeof), METHOD(ctypes, alignment), METHOD_BARE(ctypes, byref), METHOD(ctypes, addressof), METHOD_BARE(ctypes, resize), METHOD(ctypes, buffer_info),
    METHOD(ctypes, POINTER), METHOD(ctypes, pointer), METHOD_BARE(ctypes, dlopen), METHOD_BARE(ctypes, dlclose), METHOD_BARE(ctypes, dlsym), METHOD_BARE(ctypes, call_function),
    METHOD_BARE(ctypes, call_cdeclfunction), METHOD(ctypes, get_errno), METHOD_BARE(ctypes, set_errno), METHOD_BARE(ctypes, PyObj_FromPtr), METHOD(ctypes, Py_INCREF),
    METHOD(ctypes, Py_DECREF), METHOD_BARE(ctypes, _unpickle), { 0 }
};

static int add_address(PyObject *module, const char *name, void *address) { return PyModule_Add(module, name, PyLong_FromVoidPtr(address)); }

static int ctypes_exec(PyObject *module)
{
    CTypes *state = module_state(module);
    if (!(state->pointer_cache = PyDict_New()) || !(state->array_cache = PyDict_New())) return -1;
    if (!(state->error = PyErr_NewException("ctypes.ArgumentError", NULL, NULL)) || PyModule_AddObjectRef(module, "ArgumentError", state->error) < 0) return -1;
    if (ctypes_add_metatypes(module, state) < 0 || ctypes_add_data(module, state) < 0 || ctypes_add_simple(module, state) < 0 ||
        ctypes_add_aggregates(module, state) < 0 || ctypes_add_pointers(module, state) < 0 || ctypes_add_functions(module, state) < 0) return -1;
    if (!(state->unpickle = PyObject_GetAttrString(module, "_unpickle"))) return -1;
    return PyModule_AddType(module, state->meta) < 0 || PyModule_AddObjectRef(module, "_pointer_type_cache", state->pointer_cache) < 0 ||
           add_address(module, "_memmove_addr", memmove) < 0 || add_address(module, "_memset_addr", memset) < 0 ||
           add_address(module, "_string_at_addr", string_at) < 0 || add_address(module, "_cast_addr", cast) < 0 ||
           add_address(module, "_wstring_at_addr", wstring_at) < 0 || PyModule_AddIntConstant(module, "FUNCFLAG_CDECL", FLAG_CDECL) < 0 ||
           PyModule_AddIntConstant(module, "FUNCFLAG_PYTHONAPI", FLAG_PYTHONAPI) < 0 || PyModule_AddIntConstant(module, "FUNCFLAG_USE_ERRNO", FLAG_USE_ERRNO) < 0 ||
           PyModule_AddIntConstant(module, "FUNCFLAG_USE_LASTERROR", FLAG_USE_LASTERROR) < 0 || PyModule_AddIntConstant(module, "RTLD_LOCAL", RTLD_LOCAL) < 0 ||
           PyModule_AddIntConstant(module, "RTLD_GLOBAL", RTLD_GLOBAL) < 0 || PyModule_AddIntConstant(module, "CTYPES_MAX_ARGCOUNT", MAX_ARGUMENTS) < 0 ||
           PyModule_AddIntConstant(module, "SIZEOF_TIME_T", (long)sizeof(time_t)) < 0 || PyModule_AddStringConstant(module, "__version__", "1.1.0") < 0 ? -1 : 0;
}

#define EACH_MEMBER(apply)                                                                                              \
    apply(meta) apply(struct_meta) apply(union_meta) apply(pointer_meta) apply(array_meta) apply(simple_meta) apply(function_meta)    \
    apply(data) apply(structure) apply(union_) apply(pointer) apply(array) apply(simple) apply(function) apply(field)  \
    apply(argument) apply(thunk) apply(error) apply(pointer_cache) apply(array_cache) apply(unpickle)

static int ctypes_traverse(PyObject *module, visitproc visit, void *arg)
{
    CTypes *state = module_state(module);
#define VISIT(member) Py_VISIT(state->member);
    EACH_MEMBER(VISIT)
    return 0;
}

static int ctypes_clear(PyObject *module)
{
    CTypes *state = module_state(module);
#define CLEAR(member) Py_CLEAR(state->member);
    EACH_MEMBER(CLEAR)
    return 0;
}

static void ctypes_free(void *module) { ctypes_clear(module); }

static PyModuleDef_Slot ctypes_slots[] = {
    { Py_mod_exec, ctypes_exec }, { Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED }, { 0, NULL }
};
PyModuleDef ctypes_module = {
    PyModuleDef_HEAD_INIT, "_ctypes", "Create and manipulate C compatible data types in Python.", sizeof(CTypes), ctypes_methods, ctypes_slots,
    ctypes_traverse, ctypes_clear, ctypes_free,
};

PyMODINIT_FUNC PyInit__ctypes(void) { return PyModuleDef_Init(&ctypes_module); }
