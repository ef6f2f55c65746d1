/* slot_*: C slots of Python classes, each of which calls the special method of its name. */
#include "objects/type_slots_private.h"

#include "objects/unicode.h"

/* ---- finding and calling special methods ----------------------------------------------------------------------- */

PyObject *type_lookup_special(PyObject *self, PyObject *name, int *unbound)
{
    PyObject *found = type_lookup(Py_TYPE(self), name);
    *unbound = 0;
    if (!found) return NULL;
    if (LIKELY(Py_TYPE(found)->tp_flags & Py_TPFLAGS_METHOD_DESCRIPTOR)) {
        *unbound = 1;
        return Py_NewRef(found);
    }
    descrgetfunc get = Py_TYPE(found)->tp_descr_get;
    Py_INCREF(found);
    if (!get) return found;
    PyObject *bound = get(found, self, OBJECT(Py_TYPE(self)));
    Py_DECREF(found);
    return bound;
}

PyObject *type_lookup_special_bound(PyObject *self, PyObject *name)
{
    PyObject *found = type_lookup(Py_TYPE(self), name);
    if (!found) return NULL;
    descrgetfunc get = Py_TYPE(found)->tp_descr_get;
    Py_INCREF(found);
    if (!get) return found;
    PyObject *bound = get(found, self, OBJECT(Py_TYPE(self)));
    Py_DECREF(found);
    return bound;
}

/* args[0] is self. */
static inline PyObject *call_special(PyObject *func, int unbound, PyObject *const *args, Py_ssize_t nargs)
{
    size_t count = (size_t)nargs;
    if (!unbound) {                                         /* args[0] may be used as scratch by the callee */
        args++;
        count = (count - 1) | PY_VECTORCALL_ARGUMENTS_OFFSET;
    }
    return PyObject_Vectorcall(func, args, count, NULL);
}

PyObject *type_call_special(PyObject *name, PyObject *const *args, Py_ssize_t nargs)
{
    int unbound;
    PyObject *self = args[0], *func = type_lookup_special(self, name, &unbound);
    if (!func) {
        if (!PyErr_Occurred()) PyErr_SetObject(PyExc_AttributeError, name);
        return NULL;
    }
    PyObject *result = call_special(func, unbound, args, nargs);
    Py_DECREF(func);
    return result;
}

/* NotImplemented when there is no such method. */
static PyObject *call_maybe(PyObject *name, PyObject *self, PyObject *other)
{
    int unbound;
    PyObject *func = type_lookup_special(self, name, &unbound);
    if (!func) return PyErr_Occurred() ? NULL : Py_NewRef(Py_NotImplemented);
    PyObject *args[] = { self, other }, *result = call_special(func, unbound, args, 2);
    Py_DECREF(func);
    return result;
}

static PyObject *call0(PyObject *name, PyObject *self)
{
    PyObject *args[] = { self };
    return type_call_special(name, args, 1);
}

static PyObject *call1(PyObject *name, PyObject *self, PyObject *arg)
{
    PyObject *args[] = { self, arg };
    return type_call_special(name, args, 2);
}

static PyObject *call2(PyObject *name, PyObject *self, PyObject *a, PyObject *b)
{
    PyObject *args[] = { self, a, b };
    return type_call_special(name, args, 3);
}

/* func(first, *args, **kwds) */
static PyObject *call_prepended(PyObject *func, PyObject *first, PyObject *args, PyObject *kwds)
{
    PyObject *small[8], **stack = small;
    Py_ssize_t n = PyTuple_GET_SIZE(args);
    if (n + 1 > (Py_ssize_t)ARRAY_LENGTH(small) && !(stack = PyMem_New(PyObject *, n + 1))) return PyErr_NoMemory();
    stack[0] = first;
    memcpy(stack + 1, ((PyTupleObject *)args)->ob_item, (size_t)n * sizeof *stack);
    PyObject *result = PyObject_VectorcallDict(func, stack, (size_t)n + 1, kwds);
    if (stack != small) PyMem_Free(stack);
    return result;
}

/* ---- binary operators ------------------------------------------------------------------------------------------ */

static bool has_slot(PyObject *o, size_t offset, binaryfunc function)
{
    PyNumberMethods *nb = Py_TYPE(o)->tp_as_number;
    return nb && *(binaryfunc *)(void *)((char *)nb + offset) == function;
}

/* Does right's class give the reflected method anew? -1 on error. */
static int reflected_overridden(PyObject *left, PyObject *right, PyObject *name)
{
    PyObject *b, *a;
    if (PyObject_GetOptionalAttr(OBJECT(Py_TYPE(right)), name, &b) < 0) return -1;
    if (!b) return 0;
    if (PyObject_GetOptionalAttr(OBJECT(Py_TYPE(left)), name, &a) < 0) {
        Py_DECREF(b);
        return -1;
    }
    if (!a) {
        Py_DECREF(b);
        return 1;
    }
    int differ = PyObject_RichCompareBool(a, b, Py_NE);
    Py_DECREF(a);
    Py_DECREF(b);
    return differ;
}

static PyObject *binary(PyObject *self, PyObject *other, size_t offset, binaryfunc function, PyObject *name, PyObject *reflected)
{
    bool do_other = !Py_IS_TYPE(self, Py_TYPE(other)) && has_slot(other, offset, function);
    if (has_slot(self, offset, function)) {
        PyObject *result;
        if (do_other && PyType_IsSubtype(Py_TYPE(other), Py_TYPE(self))) {
            int overridden = reflected_overridden(self, other, reflected);
            if (overridden < 0) return NULL;
            if (overridden) {
                result = call_maybe(reflected, other, self);
                if (result != Py_NotImplemented) return result;
                Py_DECREF(result);
                do_other = false;
            }
        }
        result = call_maybe(name, self, other);
        if (result != Py_NotImplemented || Py_IS_TYPE(other, Py_TYPE(self))) return result;
        Py_DECREF(result);
    }
    if (do_other) return call_maybe(reflected, other, self);
    Py_RETURN_NOTIMPLEMENTED;
}

#define BINARY(field, name, reflected)                                                                                  \
    PyObject *slot_##field(PyObject *self, PyObject *other)                                                             \
    {                                                                                                                   \
        return binary(self, other, offsetof(PyNumberMethods, field), slot_##field, STR(name), STR(reflected));         \
    }
BINARY(nb_add, __add__, __radd__)
BINARY(nb_subtract, __sub__, __rsub__)
BINARY(nb_multiply, __mul__, __rmul__)
BINARY(nb_remainder, __mod__, __rmod__)
BINARY(nb_divmod, __divmod__, __rdivmod__)
BINARY(nb_lshift, __lshift__, __rlshift__)
BINARY(nb_rshift, __rshift__, __rrshift__)
BINARY(nb_and, __and__, __rand__)
BINARY(nb_xor, __xor__, __rxor__)
BINARY(nb_or, __or__, __ror__)
BINARY(nb_floor_divide, __floordiv__, __rfloordiv__)
BINARY(nb_true_divide, __truediv__, __rtruediv__)
BINARY(nb_matrix_multiply, __matmul__, __rmatmul__)
#undef BINARY

#define INPLACE(field, name) PyObject *slot_##field(PyObject *self, PyObject *other) { return call1(STR(name), self, other); }
INPLACE(nb_inplace_add, __iadd__)
INPLACE(nb_inplace_subtract, __isub__)
INPLACE(nb_inplace_multiply, __imul__)
INPLACE(nb_inplace_remainder, __imod__)
INPLACE(nb_inplace_lshift, __ilshift__)
INPLACE(nb_inplace_rshift, __irshift__)
INPLACE(nb_inplace_and, __iand__)
INPLACE(nb_inplace_xor, __ixor__)
INPLACE(nb_inplace_or, __ior__)
INPLACE(nb_inplace_floor_divide, __ifloordiv__)
INPLACE(nb_inplace_true_divide, __itruediv__)
INPLACE(nb_inplace_matrix_multiply, __imatmul__)
#undef INPLACE

static PyObject *power_binary(PyObject *self, PyObject *other)
{
    /* the slot compared with is the ternary one; only its address matters */
    return binary(self, other, offsetof(PyNumberMethods, nb_power), (binaryfunc)(void (*)(void))slot_nb_power, STR(__pow__),
                  STR(__rpow__));
}

PyObject *slot_nb_power(PyObject *self, PyObject *other, PyObject *modulus)
{
    if (modulus == Py_None) return power_binary(self, other);
    PyNumberMethods *nb = Py_TYPE(self)->tp_as_number;      /* three arguments: no reflection */
    if (nb && nb->nb_power == slot_nb_power) return call2(STR(__pow__), self, other, modulus);
    Py_RETURN_NOTIMPLEMENTED;
}

PyObject *slot_nb_inplace_power(PyObject *self, PyObject *other, PyObject *Py_UNUSED(modulus))
{
    return call1(STR(__ipow__), self, other);
}

/* ---- unary, numbers -------------------------------------------------------------------------------------------- */

#define UNARY(field, name) PyObject *slot_##field(PyObject *self) { return call0(STR(name), self); }
UNARY(nb_negative, __neg__)
UNARY(nb_positive, __pos__)
UNARY(nb_absolute, __abs__)
UNARY(nb_invert, __invert__)
UNARY(nb_int, __int__)
UNARY(nb_float, __float__)
UNARY(nb_index, __index__)
UNARY(tp_iternext, __next__)
#undef UNARY

int slot_nb_bool(PyObject *self)
{
    int unbound, result = -1;
    bool using_len = false;
    PyObject *func = type_lookup_special(self, STR(__bool__), &unbound);
    if (!func) {
        if (PyErr_Occurred()) return -1;
        func = type_lookup_special(self, STR(__len__), &unbound);
        if (!func) return PyErr_Occurred() ? -1 : 1;
        using_len = true;
    }
    PyObject *args[] = { self }, *value = call_special(func, unbound, args, 1);
    Py_DECREF(func);
    if (!value) return -1;
    if (using_len || PyBool_Check(value)) result = PyObject_IsTrue(value);
    else PyErr_Format(PyExc_TypeError, "__bool__ should return bool, returned %s", Py_TYPE(value)->tp_name);
    Py_DECREF(value);
    return result;
}

/* ---- sequences and mappings ------------------------------------------------------------------------------------ */

Py_ssize_t slot_sq_length(PyObject *self)
{
    PyObject *result = call0(STR(__len__), self);
    if (!result) return -1;
    Py_SETREF(result, PyNumber_Index(result));
    if (!result) return -1;
    Py_ssize_t n = PyNumber_AsSsize_t(result, PyExc_OverflowError);
    if (n < 0 && (!PyErr_Occurred() || PyErr_ExceptionMatches(PyExc_OverflowError))) {
        int negative = PyObject_RichCompareBool(result, SMALL_INT(0), Py_LT);
        if (negative > 0) PyErr_SetString(PyExc_ValueError, "__len__() should return >= 0");
    }
    Py_DECREF(result);
    return n < 0 ? -1 : n;
}

PyObject *slot_sq_item(PyObject *self, Py_ssize_t i)
{
    PyObject *index = PyLong_FromSsize_t(i);
    if (!index) return NULL;
    PyObject *result = call1(STR(__getitem__), self, index);
    Py_DECREF(index);
    return result;
}

PyObject *slot_mp_subscript(PyObject *self, PyObject *key) { return call1(STR(__getitem__), self, key); }

static int drop(PyObject *result)
{
    if (!result) return -1;
    Py_DECREF(result);
    return 0;
}

int slot_mp_ass_subscript(PyObject *self, PyObject *key, PyObject *value)
{
    return drop(value ? call2(STR(__setitem__), self, key, value) : call1(STR(__delitem__), self, key));
}

int slot_sq_ass_item(PyObject *self, Py_ssize_t i, PyObject *value)
{
    PyObject *index = PyLong_FromSsize_t(i);
    if (!index) return -1;
    int status = slot_mp_ass_subscript(self, index, value);
    Py_DECREF(index);
    return status;
}

static int contains_by_iteration(PyObject *self, PyObject *value)
{
    PyObject *it = PyObject_GetIter(self), *item;
    int found = 0;
    if (!it) {
        if (PyErr_ExceptionMatches(PyExc_TypeError))
            PyErr_Format(PyExc_TypeError, "argument of type '%.200s' is not iterable", Py_TYPE(self)->tp_name);
        return -1;
    }
    while (!found && (item = PyIter_Next(it))) {
        found = PyObject_RichCompareBool(item, value, Py_EQ);
        Py_DECREF(item);
    }
    Py_DECREF(it);
    return !found && PyErr_Occurred() ? -1 : found;
}

int slot_sq_contains(PyObject *self, PyObject *value)
{
    int unbound, result;
    PyObject *func = type_lookup_special(self, STR(__contains__), &unbound);
    if (func == Py_None) {
        Py_DECREF(func);
        PyErr_Format(PyExc_TypeError, "'%.200s' object is not a container", Py_TYPE(self)->tp_name);
        return -1;
    }
    if (!func) return PyErr_Occurred() ? -1 : contains_by_iteration(self, value);
    PyObject *args[] = { self, value }, *answer = call_special(func, unbound, args, 2);
    Py_DECREF(func);
    if (!answer) return -1;
    result = PyObject_IsTrue(answer);
    Py_DECREF(answer);
    return result;
}

COLD static PyObject *not_iterable(PyObject *self)
{
    PyErr_Format(PyExc_TypeError, "'%.200s' object is not iterable", Py_TYPE(self)->tp_name);
    return NULL;
}

PyObject *slot_tp_iter(PyObject *self)
{
    int unbound;
    PyObject *func = type_lookup_special(self, STR(__iter__), &unbound);
    if (func == Py_None) {
        Py_DECREF(func);
        return not_iterable(self);
    }
    if (func) {
        PyObject *args[] = { self }, *result = call_special(func, unbound, args, 1);
        Py_DECREF(func);
        return result;
    }
    PyErr_Clear();
    func = type_lookup_special(self, STR(__getitem__), &unbound);
    if (!func) {
        PyErr_Clear();
        return not_iterable(self);
    }
    Py_DECREF(func);
    return PySeqIter_New(self);
}

/* ---- text, hash, comparison ------------------------------------------------------------------------------------ */

PyObject *slot_tp_repr(PyObject *self)
{
    int unbound;
    PyObject *func = type_lookup_special(self, STR(__repr__), &unbound);
    if (!func) {
        PyErr_Clear();
        return PyUnicode_FromFormat("<%s object at %p>", Py_TYPE(self)->tp_name, self);
    }
    PyObject *args[] = { self }, *result = call_special(func, unbound, args, 1);
    Py_DECREF(func);
    return result;
}

PyObject *slot_tp_str(PyObject *self) { return call0(STR(__str__), self); }

Py_hash_t slot_tp_hash(PyObject *self)
{
    int unbound;
    PyObject *func = type_lookup_special(self, STR(__hash__), &unbound);
    if (func == Py_None) Py_CLEAR(func);
    if (!func) {
        PyErr_Clear();
        return PyObject_HashNotImplemented(self);
    }
    PyObject *args[] = { self }, *result = call_special(func, unbound, args, 1);
    Py_DECREF(func);
    if (!result) return -1;
    if (!PyLong_Check(result)) {
        PyErr_SetString(PyExc_TypeError, "__hash__ method should return an integer");
        Py_DECREF(result);
        return -1;
    }
    Py_hash_t h = PyLong_AsSsize_t(result);                 /* what fits is the hash itself, unlike hash(int) */
    if (h == -1 && PyErr_Occurred()) {
        PyErr_Clear();
        h = PyLong_Type.tp_hash(result);
    }
    if (h == -1) h = -2;
    Py_DECREF(result);
    return h;
}

PyObject *slot_tp_richcompare(PyObject *self, PyObject *other, int op)
{
    static PyObject *const names[] = { STR(__lt__), STR(__le__), STR(__eq__), STR(__ne__), STR(__gt__), STR(__ge__) };
    int unbound;
    PyObject *func = type_lookup_special(self, names[op], &unbound);
    if (!func) {                                             /* a failing __get__ too counts as "not there" */
        PyErr_Clear();
        Py_RETURN_NOTIMPLEMENTED;
    }
    PyObject *args[] = { self, other }, *result = call_special(func, unbound, args, 2);
    Py_DECREF(func);
    return result;
}

/* ---- calls ----------------------------------------------------------------------------------------------------- */

PyObject *slot_tp_call(PyObject *self, PyObject *args, PyObject *kwds)
{
    int unbound;
    PyObject *func = type_lookup_special(self, STR(__call__), &unbound);
    if (!func) {
        if (!PyErr_Occurred()) PyErr_SetObject(PyExc_AttributeError, STR(__call__));
        return NULL;
    }
    PyObject *result = unbound ? call_prepended(func, self, args, kwds) : PyObject_Call(func, args, kwds);
    Py_DECREF(func);
    return result;
}

int slot_tp_init(PyObject *self, PyObject *args, PyObject *kwds)
{
    int unbound;
    PyObject *func = type_lookup_special(self, STR(__init__), &unbound);
    if (!func) {
        if (!PyErr_Occurred()) PyErr_SetObject(PyExc_AttributeError, STR(__init__));
        return -1;
    }
    PyObject *result = unbound ? call_prepended(func, self, args, kwds) : PyObject_Call(func, args, kwds);
    Py_DECREF(func);
    if (!result) return -1;
    if (UNLIKELY(result != Py_None)) {
        PyErr_Format(PyExc_TypeError, "__init__() should return None, not '%.200s'", Py_TYPE(result)->tp_name);
        Py_DECREF(result);
        return -1;
    }
    Py_DECREF(result);
    return 0;
}

PyObject *slot_tp_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    PyObject *func = PyObject_GetAttr(OBJECT(type), STR(__new__));
    if (!func) return NULL;
    PyObject *result = call_prepended(func, OBJECT(type), args, kwds);
    Py_DECREF(func);
    return result;
}

void slot_tp_finalize(PyObject *self)
{
    int unbound;
    PyObject *saved = PyErr_GetRaisedException();
    PyObject *func = type_lookup_special(self, STR(__del__), &unbound);
    if (func) {
        PyObject *args[] = { self }, *result = call_special(func, unbound, args, 1);
        if (result) Py_DECREF(result);
        else PyErr_WriteUnraisable(func);
        Py_DECREF(func);
    }
    else PyErr_Clear();
    PyErr_SetRaisedException(saved);
}

/* ---- attributes ------------------------------------------------------------------------------------------------ */

static PyObject *slot_tp_getattro(PyObject *self, PyObject *name) { return call1(STR(__getattribute__), self, name); }

static PyObject *call_attribute_method(PyObject *self, PyObject *method, PyObject *name)
{
    PyObject *bound = NULL;
    descrgetfunc get = Py_TYPE(method)->tp_descr_get;
    if (Py_TYPE(method)->tp_flags & Py_TPFLAGS_METHOD_DESCRIPTOR) {
        PyObject *args[] = { self, name };
        return PyObject_Vectorcall(method, args, 2, NULL);
    }
    if (get) {
        if (!(bound = get(method, self, OBJECT(Py_TYPE(self))))) return NULL;
        method = bound;
    }
    PyObject *result = PyObject_CallOneArg(method, name);
    Py_XDECREF(bound);
    return result;
}

static bool is_generic_getattr(PyObject *method)
{
    return Py_IS_TYPE(method, &PyWrapperDescr_Type) &&
           ((PyWrapperDescrObject *)method)->d_wrapped == (void *)PyObject_GenericGetAttr;
}

/* __getattribute__, and where that raises AttributeError, __getattr__. */
PyObject *slot_tp_getattr_hook(PyObject *self, PyObject *name)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject *getattr = type_lookup(type, STR(__getattr__)), *result;
    if (!getattr) {                                         /* the plain function will do from now on */
        type->tp_getattro = slot_tp_getattro;
        return slot_tp_getattro(self, name);
    }
    Py_INCREF(getattr);
    PyObject *getattribute = type_lookup(type, STR(__getattribute__));
    if (!getattribute || is_generic_getattr(getattribute)) {
        result = _PyObject_GenericGetAttrWithDict(self, name, NULL, 1);
        if (!result && !PyErr_Occurred()) result = call_attribute_method(self, getattr, name);
    }
    else {
        Py_INCREF(getattribute);
        result = call_attribute_method(self, getattribute, name);
        Py_DECREF(getattribute);
        if (!result && PyErr_ExceptionMatches(PyExc_AttributeError)) {
            PyErr_Clear();
            result = call_attribute_method(self, getattr, name);
        }
    }
    Py_DECREF(getattr);
    return result;
}

int slot_tp_setattro(PyObject *self, PyObject *name, PyObject *value)
{
    return drop(value ? call2(STR(__setattr__), self, name, value) : call1(STR(__delattr__), self, name));
}

PyObject *slot_tp_descr_get(PyObject *self, PyObject *obj, PyObject *owner)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject *get = type_lookup(type, STR(__get__));
    if (!get) {                                             /* deleted since */
        if (type->tp_descr_get == slot_tp_descr_get) type->tp_descr_get = NULL;
        return Py_NewRef(self);
    }
    Py_INCREF(get);
    PyObject *args[] = { self, obj ? obj : Py_None, owner ? owner : Py_None };
    PyObject *result = PyObject_Vectorcall(get, args, 3, NULL);
    Py_DECREF(get);
    return result;
}

int slot_tp_descr_set(PyObject *self, PyObject *target, PyObject *value)
{
    return drop(value ? call2(STR(__set__), self, target, value) : call1(STR(__delete__), self, target));
}

/* ---- async ----------------------------------------------------------------------------------------------------- */

static PyObject *async_slot(PyObject *self, PyObject *name)
{
    int unbound;
    PyObject *func = type_lookup_special(self, name, &unbound);
    if (!func) {
        PyErr_Clear();
        return PyErr_Format(PyExc_AttributeError, "object %.50s does not have %U method", Py_TYPE(self)->tp_name, name);
    }
    PyObject *args[] = { self }, *result = call_special(func, unbound, args, 1);
    Py_DECREF(func);
    return result;
}

PyObject *slot_am_await(PyObject *self) { return async_slot(self, STR(__await__)); }
PyObject *slot_am_aiter(PyObject *self) { return async_slot(self, STR(__aiter__)); }
PyObject *slot_am_anext(PyObject *self) { return async_slot(self, STR(__anext__)); }

/* ---- buffers (PEP 688) ----------------------------------------------------------------------------------------- */

/* What a buffer of a Python class is exported by: remembers the memoryview that __buffer__ returned, and whom to tell. */
typedef struct BufferWrapper {
    PyObject_HEAD
    PyObject *view, *exporter;
} BufferWrapper;

static int buffer_wrapper_traverse(PyObject *self, visitproc visit, void *arg)
{
    BufferWrapper *w = (BufferWrapper *)self;
    Py_VISIT(w->view);
    Py_VISIT(w->exporter);
    return 0;
}

static void buffer_wrapper_dealloc(PyObject *self)
{
    BufferWrapper *w = (BufferWrapper *)self;
    PyObject_GC_UnTrack(self);
    Py_XDECREF(w->view);
    Py_XDECREF(w->exporter);
    PyObject_GC_Del(self);
}

extern PyTypeObject buffer_wrapper_type;

/* exporter.__release_buffer__(view), errors reported and dropped. */
static void release_buffer_python(PyObject *exporter, Py_buffer *buffer)
{
    int unbound;
    PyObject *saved = PyErr_GetRaisedException(), *view = NULL, *func = NULL;
    bool wrapped = Py_IS_TYPE(buffer->obj, &buffer_wrapper_type);
    if (wrapped) {                            /* the very memoryview that __buffer__ returned */
        view = Py_XNewRef(((BufferWrapper *)buffer->obj)->view);
        if (!view) goto done;
    }
    else {
        if (!(view = PyMemoryView_FromBuffer(buffer))) {
            PyErr_WriteUnraisable(exporter);
            goto done;
        }
        ((PyMemoryViewObject *)view)->flags |= _Py_MEMORYVIEW_RESTRICTED;    /* nobody may keep the memory beyond the call */
    }
    func = type_lookup_special(exporter, STR(__release_buffer__), &unbound);
    if (!func) {
        if (PyErr_Occurred()) PyErr_WriteUnraisable(exporter);
        goto done;
    }
    PyObject *args[] = { exporter, view };
    PyObject *result = call_special(func, unbound, args, 2);
    if (!result) PyErr_WriteUnraisable(exporter);
    Py_XDECREF(result);
    if (!wrapped) {
        result = PyObject_CallMethod(view, "release", NULL);
        if (!result) PyErr_WriteUnraisable(exporter);
        Py_XDECREF(result);
    }
done:
    Py_XDECREF(view);
    Py_XDECREF(func);
    PyErr_SetRaisedException(saved);
}

/* The C function that a builtin base has for releasing; the method of a Python class is called besides. */
static void release_buffer_base(PyObject *self, Py_buffer *buffer)
{
    PyObject *mro = Py_TYPE(self)->tp_mro;
    for (Py_ssize_t i = 1; mro && i < PyTuple_GET_SIZE(mro); i++) {
        PyTypeObject *base = (PyTypeObject *)PyTuple_GET_ITEM(mro, i);
        if (!base->tp_as_buffer || !base->tp_as_buffer->bf_releasebuffer) continue;
        if (base->tp_as_buffer->bf_releasebuffer == slot_bf_releasebuffer) continue;
        base->tp_as_buffer->bf_releasebuffer(self, buffer);
        return;
    }
}

static void buffer_wrapper_release(PyObject *self, Py_buffer *buffer)
{
    BufferWrapper *w = (BufferWrapper *)self;
    if (!w->view || !w->exporter) return;
    PyObject *view = w->view, *exporter = w->exporter;
    PyMemoryView_Type.tp_as_buffer->bf_releasebuffer(view, buffer);
    /* a C function for releasing is called when the memoryview is released */
    if (((PyMemoryViewObject *)view)->view.obj != exporter && Py_TYPE(exporter)->tp_as_buffer &&
        Py_TYPE(exporter)->tp_as_buffer->bf_releasebuffer == slot_bf_releasebuffer)
        release_buffer_python(exporter, buffer);
    Py_CLEAR(w->view);
    Py_CLEAR(w->exporter);
}

static PyBufferProcs buffer_wrapper_as_buffer = { .bf_releasebuffer = buffer_wrapper_release };

PyTypeObject buffer_wrapper_type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "_buffer_wrapper",
    .tp_basicsize = sizeof(BufferWrapper),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_dealloc = buffer_wrapper_dealloc,
    .tp_traverse = buffer_wrapper_traverse,
    .tp_free = PyObject_GC_Del,
    .tp_as_buffer = &buffer_wrapper_as_buffer,
};

int slot_bf_getbuffer(PyObject *self, Py_buffer *buffer, int flags)
{
    PyObject *flags_object = PyLong_FromLong(flags), *view = NULL;
    BufferWrapper *w = NULL;
    int status = -1;
    if (!flags_object) return -1;
    view = call1(STR(__buffer__), self, flags_object);
    if (!view) goto done;
    if (!PyMemoryView_Check(view)) {
        PyErr_Format(PyExc_TypeError, "__buffer__ returned non-memoryview object");
        goto done;
    }
    if (PyObject_GetBuffer(view, buffer, flags) < 0) goto done;
    assert(buffer->obj == view);
    w = PyObject_GC_New(BufferWrapper, &buffer_wrapper_type);
    if (!w) {
        PyBuffer_Release(buffer);
        goto done;
    }
    w->view = Py_NewRef(view);
    w->exporter = Py_NewRef(self);
    PyObject_GC_Track(w);
    /* The view stays exported through w->view; the buffer's owner is now w. */
    Py_SETREF(buffer->obj, OBJECT(w));
    status = 0;
done:
    Py_XDECREF(view);
    Py_DECREF(flags_object);
    return status;
}

void slot_bf_releasebuffer(PyObject *self, Py_buffer *buffer)
{
    release_buffer_python(self, buffer);
    release_buffer_base(self, buffer);
}
