/* CFuncPtr: calls of foreign functions, prototypes with parameter flags, and callbacks from C into Python. */
#include "ctypes.h"

#include <alloca.h>
#include <dlfcn.h>
#include <errno.h>

/* ---- arguments ---- */

Argument *argument_new(CTypes *state)
{
    Argument *a = PyObject_New(Argument, state->argument);
    if (!a) return NULL;
    a->ffi = NULL;
    a->tag = 0;
    memset(&a->value, 0, sizeof a->value);
    a->object = NULL;
    a->size = 0;
    return a;
}

static void argument_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    Py_XDECREF(ARGUMENT(self)->object);
    PyObject_Free(self);
    Py_DECREF(type);
}

static PyObject *argument_repr(PyObject *self)
{
    Argument *a = ARGUMENT(self);
    switch (a->tag) {
    case 'b': case 'B': return PyUnicode_FromFormat("<cparam '%c' (%d)>", a->tag, a->value.c);
    case 'h': case 'H': return PyUnicode_FromFormat("<cparam '%c' (%d)>", a->tag, a->value.h);
    case 'i': case 'I': return PyUnicode_FromFormat("<cparam '%c' (%d)>", a->tag, a->value.i);
    case 'l': case 'L': return PyUnicode_FromFormat("<cparam '%c' (%ld)>", a->tag, a->value.l);
    case 'q': case 'Q': return PyUnicode_FromFormat("<cparam '%c' (%lld)>", a->tag, (long long)a->value.q);
    case 'd': case 'f': {
        PyObject *number = PyFloat_FromDouble(a->tag == 'f' ? (double)a->value.f : a->value.d);
        PyObject *text = number ? PyUnicode_FromFormat("<cparam '%c' (%R)>", a->tag, number) : NULL;
        Py_XDECREF(number);
        return text;
    }
    case 'c':
        if (a->value.c >= 32 && a->value.c < 127 && a->value.c != '\'' && a->value.c != '\\') return PyUnicode_FromFormat("<cparam '%c' ('%c')>", a->tag, a->value.c);
        return PyUnicode_FromFormat("<cparam '%c' ('\\x%02x')>", a->tag, (unsigned char)a->value.c);
    case 'z': case 'Z': case 'P': return PyUnicode_FromFormat("<cparam '%c' (%p)>", a->tag, a->value.p);
    default:
        if (a->tag >= 32 && a->tag < 127 && a->tag != '\'' && a->tag != '\\') return PyUnicode_FromFormat("<cparam '%c' at %p>", a->tag, self);
        return PyUnicode_FromFormat("<cparam 0x%02x at %p>", (unsigned char)a->tag, self);
    }
}

static PyObject *argument_object(PyObject *self, void *closure) { return Py_NewRef(ARGUMENT(self)->object ? ARGUMENT(self)->object : Py_None); }
static PyGetSetDef argument_getset[] = { { "_obj", argument_object, NULL, "the wrapped object", NULL }, { 0 } };
static PyType_Slot argument_slots[] = {
    { Py_tp_dealloc, argument_dealloc }, { Py_tp_repr, argument_repr }, { Py_tp_getset, argument_getset }, { 0, NULL }
};

Argument *argument_of(CTypes *state, CData *data)
{
    Info *info = info_of((PyObject *)data);
    Argument *a = info ? argument_new(state) : NULL;
    if (!a) return NULL;
    a->object = Py_NewRef((PyObject *)data);
    a->ffi = info->ffi;
    switch (info->kind) {
    case KIND_SIMPLE:
        a->tag = info->code->code;
        memcpy(a->value.bytes, data->ptr, (size_t)info->size);
        break;
    case KIND_ARRAY:
        a->tag = 'P';
        a->ffi = &ffi_type_pointer;
        a->value.p = data->ptr;
        break;
    case KIND_POINTER: case KIND_FUNCTION:
        a->tag = 'P';
        a->ffi = &ffi_type_pointer;
        a->value.p = *(void **)data->ptr;
        break;
    default:
        a->tag = 'V';
        a->size = info->size;
        a->value.p = data->ptr;
    }
    return a;
}

/* One argument as libffi wants it: its type, and where its value is. `keep` owns what has been made. */
typedef struct Passed { ffi_type *ffi; void *at; union { int i; void *p; double d; } value; PyObject *keep; } Passed;

static int pass(CTypes *state, PyObject *value, Py_ssize_t number, Passed *out)
{
    out->keep = NULL;
    if (is_cdata(state, value)) {
        Argument *a = argument_of(state, CDATA(value));
        if (!a) return -1;
        out->keep = value = (PyObject *)a;
    }
    if (Py_IS_TYPE(value, state->argument)) {
        Argument *a = ARGUMENT(value);
        if (!out->keep) out->keep = Py_NewRef(value);
        out->ffi = a->ffi;
        out->at = a->tag == 'V' ? a->value.p : &a->value;
        return 0;
    }
    out->ffi = &ffi_type_pointer;
    out->at = &out->value;
    if (value == Py_None) out->value.p = NULL;
    else if (PyLong_Check(value)) {
        out->ffi = &ffi_type_sint;
        long n = (long)PyLong_AsUnsignedLong(value);
        if (n == -1 && PyErr_Occurred()) {
            PyErr_Clear();
            n = PyLong_AsLong(value);
            if (n == -1 && PyErr_Occurred()) {
                PyErr_SetString(PyExc_OverflowError, "int too long to convert");
                return -1;
            }
        }
        out->value.i = (int)n;
    }
    else if (PyBytes_Check(value)) {
        out->value.p = PyBytes_AS_STRING(value);
        out->keep = Py_NewRef(value);
    }
    else if (PyUnicode_Check(value)) {
        char place[sizeof(void *)];
        out->keep = code_find('Z', false)->set(place, value, 0);
        if (!out->keep) return -1;
        memcpy(&out->value.p, place, sizeof place);
    }
    else {
        PyObject *as;
        if (PyObject_GetOptionalAttrString(value, "_as_parameter_", &as) < 0) return -1;
        if (!as) {
            PyErr_Format(PyExc_TypeError, "Don't know how to convert parameter %zd", number);
            return -1;
        }
        int r = -1;
        if (Py_EnterRecursiveCall(" while processing _as_parameter_") == 0) {
            r = pass(state, as, number, out);
            Py_LeaveRecursiveCall();
        }
        if (r == 0 && !out->keep) out->keep = as;
        else Py_DECREF(as);
        return r;
    }
    return 0;
}

/* The exception becomes ArgumentError "argument 1: TypeError: ...". */
static void argument_error(CTypes *state, Py_ssize_t number)
{
    PyObject *error = PyErr_GetRaisedException(), *text = PyObject_Str(error);
    if (text) PyErr_Format(state->error, "argument %zd: %s: %U", number, Py_TYPE(error)->tp_name, text);
    Py_XDECREF(text);
    Py_DECREF(error);
}

/* ---- errno ---- */

static void free_errno(PyObject *capsule) { PyMem_Free(PyCapsule_GetPointer(capsule, "_ctypes errno")); }

int *ctypes_errno(void)
{
    PyObject *dict = PyThreadState_GetDict(), *capsule;
    if (!dict) {
        PyErr_SetString(PyExc_RuntimeError, "cannot get thread state");
        return NULL;
    }
    if (PyDict_GetItemStringRef(dict, "ctypes.error_object", &capsule) < 0) return NULL;
    if (!capsule) {
        int *place = PyMem_Calloc(2, sizeof(int));
        if (!place) {
            PyErr_NoMemory();
            return NULL;
        }
        capsule = PyCapsule_New(place, "_ctypes errno", free_errno);
        if (!capsule) PyMem_Free(place);
        if (!capsule || PyDict_SetItemString(dict, "ctypes.error_object", capsule) < 0) {
            Py_XDECREF(capsule);
            return NULL;
        }
    }
    int *place = PyCapsule_GetPointer(capsule, "_ctypes errno");
    Py_DECREF(capsule);                       /* the thread's dict has it */
    return place;
}

static void swap_errno(int *mine)
{
    int theirs = errno;
    errno = *mine;
    *mine = theirs;
}

/* ---- the call ---- */

static PyObject *convert_result(CTypes *state, PyObject *restype, void *result)
{
    if (!restype) return PyLong_FromLong(*(int *)result);
    if (restype == Py_None) Py_RETURN_NONE;
    Info *info = info_of_type(state, restype);
    if (!info) return PyObject_CallFunction(restype, "i", *(int *)result);
    PyObject *value;
    if (info->kind == KIND_SIMPLE && is_simple_instance(state, restype)) {
        value = info->code->get(result, 0);
        if (info->code->code == 'O' && value) Py_DECREF(value);       /* the function's reference */
    }
    else {
        value = cdata_new((PyTypeObject *)restype, NULL, NULL);
        if (value) memcpy(CDATA(value)->ptr, result, (size_t)info->size);
    }
    PyObject *check;
    if (!value || PyObject_GetOptionalAttrString(restype, "_check_retval_", &check) < 0) {
        Py_XDECREF(value);
        return NULL;
    }
    if (check) {
        Py_SETREF(value, PyObject_CallOneArg(check, value));
        Py_DECREF(check);
    }
    return value;
}

/* Integers shorter than a register come back widened; on this little-endian machine the low bytes are in place. */
static ffi_type *result_type(CTypes *state, PyObject *restype)
{
    if (!restype) return &ffi_type_sint;
    if (restype == Py_None) return &ffi_type_void;
    Info *info = info_of_type(state, restype);
    return info ? info->kind == KIND_ARRAY ? &ffi_type_pointer : info->ffi : &ffi_type_sint;
}

PyObject *call_address(CTypes *state, void *address, PyObject *const *args, Py_ssize_t nargs, PyObject *converters, Py_ssize_t fixed, PyObject *restype, int flags)
{
    if (nargs > MAX_ARGUMENTS) return PyErr_Format(state->error, "too many arguments (%zi), maximum is %i", nargs, MAX_ARGUMENTS);
    Passed *passed = alloca(sizeof(Passed) * (size_t)(nargs + 1));
    ffi_type **types = alloca(sizeof(ffi_type *) * (size_t)(nargs + 1));
    void **values = alloca(sizeof(void *) * (size_t)(nargs + 1));
    PyObject *result = NULL;
    Py_ssize_t done = 0;
    for (; done < nargs; done++) {
        PyObject *value = Py_NewRef(args[done]);
        if (converters && done < PyTuple_GET_SIZE(converters)) Py_SETREF(value, PyObject_CallOneArg(PyTuple_GET_ITEM(converters, done), value));
        int r = value ? pass(state, value, done + 1, &passed[done]) : -1;
        if (r == 0 && !passed[done].keep) passed[done].keep = Py_NewRef(value);
        Py_XDECREF(value);
        if (r < 0) {
            argument_error(state, done + 1);
            goto clean;
        }
        types[done] = passed[done].ffi;
        values[done] = passed[done].at;
    }
    ffi_type *rtype = result_type(state, restype);
    ffi_cif cif;
    ffi_status status = fixed >= 0 && fixed < nargs ? ffi_prep_cif_var(&cif, FFI_DEFAULT_ABI, (unsigned)fixed, (unsigned)nargs, rtype, types)
                                                    : ffi_prep_cif(&cif, FFI_DEFAULT_ABI, (unsigned)nargs, rtype, types);
    if (status != FFI_OK) {
        PyErr_SetString(PyExc_RuntimeError, "ffi_prep_cif failed");
        goto clean;
    }
    int *error_number = NULL;
    if (flags & FLAG_USE_ERRNO && !(error_number = ctypes_errno())) goto clean;
    size_t room = rtype->size < sizeof(ffi_arg) ? sizeof(ffi_arg) : rtype->size;
    void *place = alloca(room + 16);
    memset(place, 0, room);
    PyThreadState *saved = flags & FLAG_PYTHONAPI ? NULL : PyEval_SaveThread();
    if (error_number) swap_errno(error_number);
    ffi_call(&cif, FFI_FN(address), place, values);
    if (error_number) swap_errno(error_number);
    if (saved) PyEval_RestoreThread(saved);
    if (flags & FLAG_PYTHONAPI && PyErr_Occurred()) goto clean;
    result = convert_result(state, restype, place);
clean:
    for (Py_ssize_t i = 0; i < done; i++) Py_XDECREF(passed[i].keep);
    return result;
}

/* ---- callbacks ---- */

typedef struct Thunk {
    PyObject_HEAD
    CTypes *state;
    ffi_closure *closure;
    void *entry;
    ffi_cif cif;
    ffi_type **types;
    PyObject *callable, *argtypes, *restype;
    ffi_type *rtype;
    int flags;
} Thunk;

#define THUNK(o) ((Thunk *)(o))

static int thunk_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(THUNK(self)->callable);
    Py_VISIT(THUNK(self)->argtypes);
    Py_VISIT(THUNK(self)->restype);
    return 0;
}

static int thunk_clear(PyObject *self)
{
    Py_CLEAR(THUNK(self)->callable);
    Py_CLEAR(THUNK(self)->argtypes);
    Py_CLEAR(THUNK(self)->restype);
    return 0;
}

static void thunk_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    thunk_clear(self);
    if (THUNK(self)->closure) ffi_closure_free(THUNK(self)->closure);
    PyMem_Free(THUNK(self)->types);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyType_Slot thunk_slots[] = {
    { Py_tp_dealloc, thunk_dealloc }, { Py_tp_traverse, thunk_traverse }, { Py_tp_clear, thunk_clear }, { Py_tp_doc, (char *)"entry of a callback" }, { 0, NULL }
};

static void thunk_unraisable(Thunk *thunk, const char *format)
{
    PyErr_FormatUnraisable(format, thunk->callable);
}

static void thunk_store_result(Thunk *thunk, PyObject *result, void *place)
{
    if (thunk->restype == Py_None || !thunk->restype) return;
    Info *info = info_of_type(thunk->state, thunk->restype);
    if (!info || info->kind != KIND_SIMPLE) return;
    union { long long number; char bytes[16]; } set = { 0 };
    PyObject *kept = info->code->set(set.bytes, result, 0);
    if (!kept) {
        thunk_unraisable(thunk, "Exception ignored on converting result of ctypes callback function %R");
        return;
    }
    long long widened = set.number;
    switch (info->code->code) {               /* integers fill a register */
    case 'b': *(ffi_sarg *)place = (int8_t)widened; break;
    case 'h': *(ffi_sarg *)place = (int16_t)widened; break;
    case 'i': *(ffi_sarg *)place = (int32_t)widened; break;
    case 'c': case 'B': case '?': *(ffi_arg *)place = (uint8_t)widened; break;
    case 'H': *(ffi_arg *)place = (uint16_t)widened; break;
    case 'I': case 'u': *(ffi_arg *)place = (uint32_t)widened; break;
    default: memcpy(place, set.bytes, (size_t)info->size);
    }
    if (kept == Py_None || info->code->code == 'O') {
        if (info->code->code != 'O') Py_DECREF(kept);     /* an object's reference goes to the caller */
        return;
    }
    /* A string that nothing keeps alive: the callable's own result has to. */
    if (PyErr_WarnEx(PyExc_RuntimeWarning, "memory leak in callback function.", 1) < 0)
        thunk_unraisable(thunk, "Exception ignored on converting result of ctypes callback function %R");
}

static void thunk_call(ffi_cif *cif, void *place, void **args, void *user)
{
    PyGILState_STATE gil = PyGILState_Ensure();
    Thunk *thunk = (Thunk *)Py_NewRef((PyObject *)user);
    Py_ssize_t n = PyTuple_GET_SIZE(thunk->argtypes), done = 0;
    PyObject **values = alloca(sizeof(PyObject *) * (size_t)(n + 1)), *result = NULL;
    if (cif->rtype->size) memset(place, 0, cif->rtype->size < sizeof(ffi_arg) ? sizeof(ffi_arg) : cif->rtype->size);
    for (; done < n; done++) {
        PyObject *type = PyTuple_GET_ITEM(thunk->argtypes, done);
        Info *info = info_of_type(thunk->state, type);
        if (info->kind == KIND_SIMPLE && is_simple_instance(thunk->state, type)) values[done] = info->code->get(args[done], 0);
        else {
            values[done] = cdata_new((PyTypeObject *)type, NULL, NULL);
            if (values[done]) memcpy(CDATA(values[done])->ptr, args[done], (size_t)info->size);
        }
        if (!values[done]) {
            thunk_unraisable(thunk, "Exception ignored on converting argument of ctypes callback function %R");
            goto clean;
        }
    }
    int *error_number = thunk->flags & FLAG_USE_ERRNO ? ctypes_errno() : NULL;
    if (error_number) swap_errno(error_number);
    result = PyObject_Vectorcall(thunk->callable, values, (size_t)n, NULL);
    if (error_number) swap_errno(error_number);
    if (!result) thunk_unraisable(thunk, "Exception ignored on calling ctypes callback function %R");
    else thunk_store_result(thunk, result, place);
clean:
    for (Py_ssize_t i = 0; i < done; i++) Py_DECREF(values[i]);
    Py_XDECREF(result);
    Py_DECREF(thunk);
    PyGILState_Release(gil);
}

static Thunk *thunk_new(CTypes *state, PyObject *callable, PyObject *argtypes, PyObject *restype, int flags)
{
    Thunk *t = (Thunk *)state->thunk->tp_alloc(state->thunk, 0);
    if (!t) return NULL;
    Py_ssize_t n = PyTuple_GET_SIZE(argtypes);
    t->state = state;
    t->callable = Py_NewRef(callable);
    t->argtypes = Py_NewRef(argtypes);
    t->restype = Py_NewRef(restype);
    t->flags = flags;
    t->rtype = &ffi_type_void;
    if (restype != Py_None) {
        Info *info = info_of_type(state, restype);
        if (!info || info->kind != KIND_SIMPLE) {
            PyErr_SetString(PyExc_TypeError, "invalid result type for callback function");
            goto fail;
        }
        t->rtype = info->ffi;
    }
    if (!(t->types = PyMem_Calloc((size_t)n + 1, sizeof *t->types)) || !(t->closure = ffi_closure_alloc(sizeof(ffi_closure), &t->entry))) {
        PyErr_NoMemory();
        goto fail;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        Info *info = info_of_type(state, PyTuple_GET_ITEM(argtypes, i));
        if (!info) {
            PyErr_SetString(PyExc_TypeError, "invalid argument type for callback function");
            goto fail;
        }
        t->types[i] = info->ffi;
    }
    if (ffi_prep_cif(&t->cif, FFI_DEFAULT_ABI, (unsigned)n, t->rtype, t->types) != FFI_OK ||
        ffi_prep_closure_loc(t->closure, &t->cif, thunk_call, t, t->entry) != FFI_OK) {
        PyErr_SetString(PyExc_RuntimeError, "ffi_prep_closure failed");
        goto fail;
    }
    return t;
fail:
    Py_DECREF(t);
    return NULL;
}

/* ---- function types ---- */

/* The from_param methods of a sequence of types. */
static PyObject *converters_of(CTypes *state, PyObject *argtypes)
{
    Py_ssize_t n = PyTuple_GET_SIZE(argtypes);
    if (n > MAX_ARGUMENTS) return PyErr_Format(state->error, "_argtypes_ has too many arguments (%zi), maximum is %i", n, MAX_ARGUMENTS);
    PyObject *converters = PyTuple_New(n);
    for (Py_ssize_t i = 0; converters && i < n; i++) {
        PyObject *method;
        if (PyObject_GetOptionalAttrString(PyTuple_GET_ITEM(argtypes, i), "from_param", &method) < 0) Py_CLEAR(converters);
        else if (!method) {
            PyErr_Format(PyExc_TypeError, "item %zd in _argtypes_ has no from_param method", i + 1);
            Py_CLEAR(converters);
        }
        else PyTuple_SET_ITEM(converters, i, method);
    }
    return converters;
}

int function_meta_init_type(CTypes *state, PyObject *type)
{
    PyObject *flags, *argtypes = NULL, *restype = NULL;
    if (PyObject_GetOptionalAttrString(type, "_flags_", &flags) < 0) return -1;
    if (!flags || !PyLong_Check(flags)) {
        Py_XDECREF(flags);
        PyErr_SetString(PyExc_TypeError, "class must define _flags_ which must be an integer");
        return -1;
    }
    long bits = PyLong_AsLong(flags);
    Py_DECREF(flags);
    Info *info = info_start(type, KIND_FUNCTION);
    if (!info) return -1;
    info->size = info->align = sizeof(void *);
    info->ffi = &ffi_type_pointer;
    info->has_pointer = true;
    info->length = 1;
    info->flags = (int)bits;
    if (!(info->format = format_copy("X{}", ""))) return -1;
    if (PyObject_GetOptionalAttrString(type, "_argtypes_", &argtypes) < 0) return -1;
    if (argtypes) {
        if (!PyTuple_Check(argtypes)) {
            Py_DECREF(argtypes);
            PyErr_SetString(PyExc_TypeError, "class must define _argtypes_ which must be a sequence of types");
            return -1;
        }
        info->argtypes = argtypes;
        if (!(info->converters = converters_of(state, argtypes))) return -1;
    }
    if (PyObject_GetOptionalAttrString(type, "_restype_", &restype) < 0) return -1;
    if (restype) {
        if (restype != Py_None && !info_of_type(state, restype) && !PyCallable_Check(restype)) {
            Py_DECREF(restype);
            PyErr_SetString(PyExc_TypeError, "_restype_ must be a type, a callable, or None");
            return -1;
        }
        info->restype = restype;
    }
    return 0;
}

/* ((DIRECTION, name, default), ...) beside argtypes. */
static int check_paramflags(Info *info, PyObject *paramflags)
{
    if (!paramflags || paramflags == Py_None || !info->argtypes) return 0;
    if (!PyTuple_Check(paramflags)) {
        PyErr_SetString(PyExc_TypeError, "paramflags must be a tuple or None");
        return -1;
    }
    if (PyTuple_GET_SIZE(paramflags) != PyTuple_GET_SIZE(info->argtypes)) {
        PyErr_SetString(PyExc_ValueError, "paramflags must have the same length as argtypes");
        return -1;
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(paramflags); i++) {
        unsigned flag;
        const char *name;
        PyObject *value = Py_None, *type = PyTuple_GET_ITEM(info->argtypes, i);
        if (!PyArg_ParseTuple(PyTuple_GET_ITEM(paramflags, i), "I|zO", &flag, &name, &value)) {
            PyErr_Clear();
            PyErr_SetString(PyExc_TypeError, "paramflags must be a sequence of (int [,string [,value]]) tuples");
            return -1;
        }
        switch (flag & (DIRECTION_IN | DIRECTION_OUT | DIRECTION_LCID)) {
        case 0: case DIRECTION_IN: case DIRECTION_IN | DIRECTION_LCID: case DIRECTION_IN | DIRECTION_OUT: break;
        case DIRECTION_OUT: {
            Info *to = info_of_type(info->state, type);
            if (to && (to->kind == KIND_POINTER || to->kind == KIND_ARRAY || (to->kind == KIND_SIMPLE && strchr("PzZ", to->code->code)))) break;
            PyErr_Format(PyExc_TypeError, "'out' parameter %zd must be a pointer type, not %s", i + 1,
                         to && to->format ? to->format : PyType_Check(type) ? ((PyTypeObject *)type)->tp_name : "");
            return -1;
        }
        default:
            PyErr_SetString(PyExc_TypeError, "paramflag value not supported");
            return -1;
        }
    }
    return 0;
}

static PyObject *function_alloc(PyTypeObject *type, Info *info, void *address, PyObject *keep)
{
    PyObject *self = cdata_new(type, NULL, NULL);
    if (!self) return NULL;
    *(void **)CDATA(self)->ptr = address;
    if (keep && cdata_keep(CDATA(self), 0, Py_NewRef(keep)) < 0) Py_CLEAR(self);
    return self;
}

/* (name or ordinal, library) */
static PyObject *function_from_library(PyTypeObject *type, Info *info, PyObject *pair, PyObject *paramflags)
{
    PyObject *name, *library;
    if (!PyArg_ParseTuple(pair, "OO:CFuncPtr", &name, &library)) return NULL;
    if (PySys_Audit("ctypes.dlsym", "OO", library, name) < 0) return NULL;
    const char *text = PyUnicode_Check(name) ? PyUnicode_AsUTF8(name) : PyBytes_Check(name) ? PyBytes_AsString(name) : NULL;
    if (!text) return PyErr_Occurred() ? NULL : PyErr_Format(PyExc_TypeError, "the _name of a function must be a string or bytes");
    PyObject *number = PyObject_GetAttrString(library, "_handle");
    if (!number) return NULL;
    if (!PyLong_Check(number)) {
        Py_DECREF(number);
        return PyErr_Format(PyExc_TypeError, "the _handle attribute of the second argument must be an integer");
    }
    void *handle = PyLong_AsVoidPtr(number);
    Py_DECREF(number);
    if (!handle && PyErr_Occurred()) return PyErr_Format(PyExc_ValueError, "could not convert the _handle attribute to a pointer");
    dlerror();
    void *address = dlsym(handle, text);
    if (!address) {
        const char *message = dlerror();
        if (message) return PyErr_Format(PyExc_AttributeError, "%s", message);
        return PyErr_Format(PyExc_AttributeError, "function '%s' not found", text);
    }
    if (check_paramflags(info, paramflags) < 0) return NULL;
    PyObject *self = function_alloc(type, info, address, library);
    if (self) FUNCTION(self)->paramflags = Py_XNewRef(paramflags);
    return self;
}

static PyObject *function_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    Info *info = info_concrete((PyObject *)type);
    if (!info) return NULL;
    Py_ssize_t n = PyTuple_GET_SIZE(args);
    if (!n) return cdata_new(type, NULL, NULL);
    PyObject *first = PyTuple_GET_ITEM(args, 0), *paramflags = n > 1 && PyTuple_GET_ITEM(args, 1) != Py_None ? PyTuple_GET_ITEM(args, 1) : NULL;
    if (n <= 2 && PyTuple_Check(first)) return function_from_library(type, info, first, paramflags);
    if (n == 1 && PyLong_Check(first)) {
        void *address = PyLong_AsVoidPtr(first);
        if (!address && PyErr_Occurred()) return NULL;
        return function_alloc(type, info, address, NULL);
    }
    if (!PyCallable_Check(first)) return PyErr_Format(PyExc_TypeError, "argument must be callable or integer function address");
    if (!info->argtypes) return PyErr_Format(PyExc_TypeError, "cannot construct instance of this class: no argtypes");
    Thunk *thunk = thunk_new(info->state, first, info->argtypes, info->restype ? info->restype : Py_None, info->flags);
    if (!thunk) return NULL;
    PyObject *self = function_alloc(type, info, thunk->entry, (PyObject *)thunk);
    if (self) {
        FUNCTION(self)->thunk = (PyObject *)thunk;
        FUNCTION(self)->callable = Py_NewRef(first);
    }
    else Py_DECREF(thunk);
    return self;
}

static PyObject *function_get_errcheck(PyObject *self, void *closure) { return Py_NewRef(FUNCTION(self)->errcheck ? FUNCTION(self)->errcheck : Py_None); }
static int function_set_errcheck(PyObject *self, PyObject *value, void *closure)
{
    if (value && !PyCallable_Check(value)) {
        PyErr_SetString(PyExc_TypeError, "the errcheck attribute must be callable");
        return -1;
    }
    Py_XSETREF(FUNCTION(self)->errcheck, Py_XNewRef(value));
    return 0;
}

static PyObject *function_get_restype(PyObject *self, void *closure)
{
    Info *info = info_of(self);
    if (FUNCTION(self)->restype) return Py_NewRef(FUNCTION(self)->restype);
    return info ? Py_NewRef(info->restype ? info->restype : Py_None) : NULL;
}

static int function_set_restype(PyObject *self, PyObject *value, void *closure)
{
    Info *info = info_of(self);
    if (!info) return -1;
    if (value && value != Py_None && !info_of_type(info->state, value) && !PyCallable_Check(value)) {
        PyErr_SetString(PyExc_TypeError, "restype must be a type, a callable, or None");
        return -1;
    }
    Py_XSETREF(FUNCTION(self)->restype, Py_XNewRef(value));
    return 0;
}

static PyObject *function_get_argtypes(PyObject *self, void *closure)
{
    Info *info = info_of(self);
    if (FUNCTION(self)->argtypes) return Py_NewRef(FUNCTION(self)->argtypes);
    return info ? Py_NewRef(info->argtypes ? info->argtypes : Py_None) : NULL;
}

static int function_set_argtypes(PyObject *self, PyObject *value, void *closure)
{
    Info *info = info_of(self);
    if (!info) return -1;
    if (!value || value == Py_None) {
        Py_CLEAR(FUNCTION(self)->converters);
        Py_CLEAR(FUNCTION(self)->argtypes);
        return 0;
    }
    PyObject *tuple = PySequence_Tuple(value), *converters = tuple ? converters_of(info->state, tuple) : NULL;
    Py_XDECREF(tuple);
    if (!converters) return -1;
    Py_XSETREF(FUNCTION(self)->converters, converters);
    Py_XSETREF(FUNCTION(self)->argtypes, Py_NewRef(value));
    return 0;
}

/* Fills in parameters by paramflags; the outputs are left in *outputs, a list or NULL. */
static PyObject *build_arguments(Function *f, PyObject *argtypes, PyObject *args, PyObject *kwargs, PyObject **outputs)
{
    Py_ssize_t n = PyTuple_GET_SIZE(argtypes), used = 0;
    PyObject *all = PyTuple_New(n);
    *outputs = NULL;
    Py_ssize_t named = 0;
    for (Py_ssize_t i = 0; all && i < n; i++) {
        PyObject *item = PyTuple_GET_ITEM(f->paramflags, i), *value = NULL, *fallback = NULL;
        unsigned flag = (unsigned)PyLong_AsUnsignedLongMask(PyTuple_GET_ITEM(item, 0));
        PyObject *name = PyTuple_GET_SIZE(item) > 1 ? PyTuple_GET_ITEM(item, 1) : NULL;
        if (PyTuple_GET_SIZE(item) > 2) fallback = PyTuple_GET_ITEM(item, 2);
        int direction = flag & (DIRECTION_IN | DIRECTION_OUT | DIRECTION_LCID);
        if (direction == (DIRECTION_IN | DIRECTION_LCID)) value = fallback ? Py_NewRef(fallback) : PyLong_FromLong(0);
        else if (direction == DIRECTION_OUT) {
            if (fallback) value = Py_NewRef(fallback);
            else {
                CTypes *state = ctypes_state_of_type(Py_TYPE(Py_TYPE((PyObject *)f)));
                PyObject *type = PyTuple_GET_ITEM(argtypes, i);
                Info *info = state ? info_of_type(state, type) : NULL;
                if (!info) PyErr_Format(PyExc_RuntimeError, "argument %zd has no type", i);
                else if (info->kind == KIND_POINTER) value = PyObject_CallNoArgs(info->proto);
                else if (info->kind == KIND_ARRAY) value = PyObject_CallNoArgs(type);
                else PyErr_Format(PyExc_TypeError, "%s 'out' parameter must be passed as default value", ((PyTypeObject *)type)->tp_name);
            }
        }
        else {
            if (used < PyTuple_GET_SIZE(args)) {
                value = Py_NewRef(PyTuple_GET_ITEM(args, used++));
                if (kwargs && name && name != Py_None && PyDict_Contains(kwargs, name) == 1) {
                    PyErr_Format(PyExc_TypeError, "argument for %R given by name and position", name);
                    Py_CLEAR(value);
                }
            }
            else if (kwargs && name && name != Py_None && PyDict_GetItemRef(kwargs, name, &value) > 0) named++;
            else if (!PyErr_Occurred()) {
                if (fallback) value = Py_NewRef(fallback);
                else if (name && name != Py_None) PyErr_Format(PyExc_TypeError, "required argument '%U' missing", name);
                else PyErr_SetString(PyExc_TypeError, "not enough arguments");
            }
        }
        if (value && (direction & DIRECTION_OUT)) {
            if (!*outputs) *outputs = PyList_New(0);
            if (!*outputs || PyList_Append(*outputs, value) < 0) Py_CLEAR(value);
        }
        if (!value) Py_CLEAR(all);
        else PyTuple_SET_ITEM(all, i, value);
    }
    if (all && (used < PyTuple_GET_SIZE(args) || (kwargs && named < PyDict_GET_SIZE(kwargs)))) {
        Py_ssize_t given = PyTuple_GET_SIZE(args) + (kwargs ? PyDict_GET_SIZE(kwargs) : 0);
        PyErr_Format(PyExc_TypeError, "call takes exactly %zd arguments (%zd given)", used + named, given);
        Py_CLEAR(all);
    }
    if (!all) Py_CLEAR(*outputs);
    return all;
}

/* What a call with output parameters returns: the one output, or all in a tuple. */
static PyObject *outputs_result(PyObject *result, PyObject *outputs)
{
    Py_DECREF(result);
    Py_ssize_t n = PyList_GET_SIZE(outputs);
    PyObject *tuple = PyTuple_New(n);
    for (Py_ssize_t i = 0; tuple && i < n; i++) {
        PyObject *value = PyObject_CallMethod(PyList_GET_ITEM(outputs, i), "__ctypes_from_outparam__", NULL);
        if (!value) Py_CLEAR(tuple);
        else PyTuple_SET_ITEM(tuple, i, value);
    }
    Py_DECREF(outputs);
    if (tuple && n == 1) Py_SETREF(tuple, Py_NewRef(PyTuple_GET_ITEM(tuple, 0)));
    return tuple;
}

static PyObject *function_call(PyObject *self, PyObject *args, PyObject *kwargs)
{
    Function *f = FUNCTION(self);
    Info *info = info_of(self);
    if (!info) return NULL;
    /* What is called, a class for an output parameter to begin with, may set other ones. */
    PyObject *restype = Py_XNewRef(f->restype ? f->restype : info->restype), *argtypes = Py_XNewRef(f->argtypes ? f->argtypes : info->argtypes);
    PyObject *converters = Py_XNewRef(f->converters ? f->converters : info->converters), *outputs = NULL, *all, *result = NULL;
    if (f->paramflags && argtypes && PyTuple_Check(argtypes) && PyTuple_GET_SIZE(argtypes) == PyTuple_GET_SIZE(f->paramflags))
        all = build_arguments(f, argtypes, args, kwargs, &outputs);
    else all = Py_NewRef(args);
    if (!all) goto done;
    Py_ssize_t required = converters ? PyTuple_GET_SIZE(converters) : 0, actual = PyTuple_GET_SIZE(all);
    if (converters && actual < required) {
        PyErr_Format(PyExc_TypeError, "this function takes at least %zd argument%s (%zd given)", required, required == 1 ? "" : "s", actual);
        goto done;
    }
    if (!*(void **)f->data.ptr) {
        PyErr_SetString(PyExc_ValueError, "attempt to call a NULL function pointer");
        goto done;
    }
    result = call_address(info->state, *(void **)f->data.ptr, ((PyTupleObject *)all)->ob_item, actual, converters, converters ? required : -1, restype, info->flags);
    if (result && f->errcheck) {
        PyObject *checked = PyObject_CallFunctionObjArgs(f->errcheck, result, self, all, NULL);
        if (!checked || checked != all || !outputs) {
            Py_SETREF(result, checked);
            Py_CLEAR(outputs);
        }
        else Py_DECREF(checked);
    }
    if (result && outputs) {
        result = outputs_result(result, outputs);
        outputs = NULL;
    }
done:
    Py_XDECREF(outputs);
    Py_XDECREF(all);
    Py_XDECREF(converters);
    Py_XDECREF(argtypes);
    Py_XDECREF(restype);
    return result;
}

static int function_traverse(PyObject *self, visitproc visit, void *arg)
{
    Function *f = FUNCTION(self);
    Py_VISIT(f->callable);
    Py_VISIT(f->argtypes);
    Py_VISIT(f->converters);
    Py_VISIT(f->restype);
    Py_VISIT(f->errcheck);
    Py_VISIT(f->paramflags);
    Py_VISIT(f->thunk);
    Py_VISIT(f->data.objects);
    Py_VISIT((PyObject *)f->data.base);
    Py_VISIT(Py_TYPE(self));
    return 0;
}

static int function_clear_own(PyObject *self)
{
    Function *f = FUNCTION(self);
    Py_CLEAR(f->callable);
    Py_CLEAR(f->argtypes);
    Py_CLEAR(f->converters);
    Py_CLEAR(f->restype);
    Py_CLEAR(f->errcheck);
    Py_CLEAR(f->paramflags);
    Py_CLEAR(f->thunk);
    Py_CLEAR(CDATA(self)->objects);
    Py_CLEAR(CDATA(self)->base);
    return 0;
}

static void function_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    function_clear_own(self);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyObject *function_repr(PyObject *self) { return PyUnicode_FromFormat("<%s object at %p>", Py_TYPE(self)->tp_name, self); }
static int function_bool(PyObject *self) { return *(void **)CDATA(self)->ptr != NULL; }

static PyGetSetDef function_getset[] = {
    { "errcheck", function_get_errcheck, function_set_errcheck, "a function to check for errors", NULL },
    { "restype", function_get_restype, function_set_restype, "specify the result type", NULL },
    { "argtypes", function_get_argtypes, function_set_argtypes, "specify the argument types", NULL }, { 0 }
};
static PyType_Slot function_slots[] = {
    { Py_tp_new, function_new }, { Py_tp_dealloc, function_dealloc }, { Py_tp_traverse, function_traverse }, { Py_tp_clear, function_clear_own },
    { Py_tp_repr, function_repr }, { Py_tp_call, function_call }, { Py_nb_bool, function_bool }, { Py_tp_getset, function_getset },
    { Py_bf_getbuffer, cdata_get_buffer }, { Py_tp_doc, (char *)"Function Pointer" }, { 0, NULL }
};

int ctypes_add_functions(PyObject *module, CTypes *state)
{
    PyType_Spec argument = { "_ctypes.CArgObject", sizeof(Argument), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION, argument_slots };
    PyType_Spec thunk = { "_ctypes.CThunkObject", sizeof(Thunk), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION, thunk_slots };
    PyType_Spec function = { "_ctypes.CFuncPtr", sizeof(Function), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE, function_slots };
    state->argument = (PyTypeObject *)PyType_FromModuleAndSpec(module, &argument, NULL);
    state->thunk = (PyTypeObject *)PyType_FromModuleAndSpec(module, &thunk, NULL);
    state->function = (PyTypeObject *)PyType_FromMetaclass(state->function_meta, module, &function, (PyObject *)state->data);
    return state->argument && state->thunk && state->function ? PyModule_AddType(module, state->function) : -1;
}
