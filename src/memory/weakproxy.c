/* weakref.proxy: an object that forwards every operation to the one it refers to, or raises ReferenceError when that is gone.
 *
 * Each forwarded operation holds a reference to the target while it runs. In binary operations either side may be a proxy. */
#include "memory/alloc.h"
#include "memory/weakref.h"

/* New reference to what a proxy stands for (or to o itself when it is no proxy). NULL with ReferenceError. */
static PyObject *target(PyObject *o)
{
    if (!PyWeakref_CheckProxy(o)) return Py_NewRef(o);
    PyObject *referent = ((PyWeakReference *)o)->wr_object;
    if (referent == Py_None || Py_REFCNT(referent) <= 0) {
        PyErr_SetString(PyExc_ReferenceError, "weakly-referenced object no longer exists");
        return NULL;
    }
    return Py_NewRef(referent);
}

#define FORWARD_UNARY(name, function)                                                                                   \
    static PyObject *proxy_##name(PyObject *self)                                                                       \
    {                                                                                                                   \
        PyObject *o = target(self);                                                                                     \
        if (!o) return NULL;                                                                                            \
        PyObject *result = function(o);                                                                                 \
        Py_DECREF(o);                                                                                                   \
        return result;                                                                                                  \
    }

#define FORWARD_BINARY(name, function)                                                                                  \
    static PyObject *proxy_##name(PyObject *a, PyObject *b)                                                             \
    {                                                                                                                   \
        PyObject *x = target(a), *y = x ? target(b) : NULL;                                                             \
        PyObject *result = y ? function(x, y) : NULL;                                                                   \
        Py_XDECREF(x);                                                                                                  \
        Py_XDECREF(y);                                                                                                  \
        return result;                                                                                                  \
    }

#define FORWARD_TERNARY(name, function)                                                                                 \
    static PyObject *proxy_##name(PyObject *a, PyObject *b, PyObject *c)                                                \
    {                                                                                                                   \
        PyObject *x = target(a), *y = x ? target(b) : NULL, *z = !y ? NULL : c ? target(c) : Py_NewRef(Py_None);        \
        PyObject *result = z ? function(x, y, z) : NULL;                                                                \
        Py_XDECREF(x);                                                                                                  \
        Py_XDECREF(y);                                                                                                  \
        Py_XDECREF(z);                                                                                                  \
        return result;                                                                                                  \
    }

FORWARD_BINARY(getattr, PyObject_GetAttr)
FORWARD_UNARY(str, PyObject_Str)
FORWARD_BINARY(add, PyNumber_Add)
FORWARD_BINARY(subtract, PyNumber_Subtract)
FORWARD_BINARY(multiply, PyNumber_Multiply)
FORWARD_BINARY(floor_divide, PyNumber_FloorDivide)
FORWARD_BINARY(true_divide, PyNumber_TrueDivide)
FORWARD_BINARY(remainder, PyNumber_Remainder)
FORWARD_BINARY(divmod, PyNumber_Divmod)
FORWARD_TERNARY(power, PyNumber_Power)
FORWARD_UNARY(negative, PyNumber_Negative)
FORWARD_UNARY(positive, PyNumber_Positive)
FORWARD_UNARY(absolute, PyNumber_Absolute)
FORWARD_UNARY(invert, PyNumber_Invert)
FORWARD_BINARY(lshift, PyNumber_Lshift)
FORWARD_BINARY(rshift, PyNumber_Rshift)
FORWARD_BINARY(and, PyNumber_And)
FORWARD_BINARY(xor, PyNumber_Xor)
FORWARD_BINARY(or, PyNumber_Or)
FORWARD_UNARY(int, PyNumber_Long)
FORWARD_UNARY(float, PyNumber_Float)
FORWARD_BINARY(inplace_add, PyNumber_InPlaceAdd)
FORWARD_BINARY(inplace_subtract, PyNumber_InPlaceSubtract)
FORWARD_BINARY(inplace_multiply, PyNumber_InPlaceMultiply)
FORWARD_BINARY(inplace_floor_divide, PyNumber_InPlaceFloorDivide)
FORWARD_BINARY(inplace_true_divide, PyNumber_InPlaceTrueDivide)
FORWARD_BINARY(inplace_remainder, PyNumber_InPlaceRemainder)
FORWARD_TERNARY(inplace_power, PyNumber_InPlacePower)
FORWARD_BINARY(inplace_lshift, PyNumber_InPlaceLshift)
FORWARD_BINARY(inplace_rshift, PyNumber_InPlaceRshift)
FORWARD_BINARY(inplace_and, PyNumber_InPlaceAnd)
FORWARD_BINARY(inplace_xor, PyNumber_InPlaceXor)
FORWARD_BINARY(inplace_or, PyNumber_InPlaceOr)
FORWARD_UNARY(index, PyNumber_Index)
FORWARD_BINARY(matrix_multiply, PyNumber_MatrixMultiply)
FORWARD_BINARY(inplace_matrix_multiply, PyNumber_InPlaceMatrixMultiply)
FORWARD_BINARY(getitem, PyObject_GetItem)

static PyObject *proxy_call(PyObject *self, PyObject *args, PyObject *kwargs)
{
    PyObject *o = target(self);
    if (!o) return NULL;
    PyObject *result = PyObject_Call(o, args, kwargs);
    Py_DECREF(o);
    return result;
}

static PyObject *proxy_repr(PyObject *self)
{
    PyObject *o = ((PyWeakReference *)self)->wr_object;
    if (o == Py_None || Py_REFCNT(o) <= 0) return PyUnicode_FromFormat("<weakproxy at %p; dead>", self);
    return PyUnicode_FromFormat("<weakproxy at %p; to '%T' at %p>", self, o, o);
}

static int proxy_setattr(PyObject *self, PyObject *name, PyObject *value)
{
    PyObject *o = target(self);
    if (!o) return -1;
    int status = PyObject_SetAttr(o, name, value);
    Py_DECREF(o);
    return status;
}

static PyObject *proxy_richcompare(PyObject *a, PyObject *b, int op)
{
    PyObject *x = target(a), *y = x ? target(b) : NULL;
    PyObject *result = y ? PyObject_RichCompare(x, y, op) : NULL;
    Py_XDECREF(x);
    Py_XDECREF(y);
    return result;
}

static int proxy_bool(PyObject *self)
{
    PyObject *o = target(self);
    if (!o) return -1;
    int truth = PyObject_IsTrue(o);
    Py_DECREF(o);
    return truth;
}

static int proxy_contains(PyObject *self, PyObject *value)
{
    PyObject *o = target(self);
    if (!o) return -1;
    int found = PySequence_Contains(o, value);
    Py_DECREF(o);
    return found;
}

static Py_ssize_t proxy_length(PyObject *self)
{
    PyObject *o = target(self);
    if (!o) return -1;
    Py_ssize_t length = PyObject_Length(o);
    Py_DECREF(o);
    return length;
}

static int proxy_setitem(PyObject *self, PyObject *key, PyObject *value)
{
    PyObject *o = target(self);
    if (!o) return -1;
    int status = value ? PyObject_SetItem(o, key, value) : PyObject_DelItem(o, key);
    Py_DECREF(o);
    return status;
}

static PyObject *proxy_iter(PyObject *self)
{
    PyObject *o = target(self);
    if (!o) return NULL;
    PyObject *it = PyObject_GetIter(o);
    Py_DECREF(o);
    return it;
}

static PyObject *proxy_iternext(PyObject *self)
{
    PyObject *o = target(self), *item = NULL;
    if (!o) return NULL;
    if (PyIter_Check(o)) item = PyIter_Next(o);
    else PyErr_Format(PyExc_TypeError, "Weakref proxy referenced a non-iterator '%.200s' object", Py_TYPE(o)->tp_name);
    Py_DECREF(o);
    return item;
}

static PyObject *proxy_bytes(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    PyObject *o = target(self);
    if (!o) return NULL;
    PyObject *result = PyObject_CallMethodNoArgs(o, STR(__bytes__));
    Py_DECREF(o);
    return result;
}

static PyObject *proxy_reversed(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    PyObject *o = target(self);
    if (!o) return NULL;
    PyObject *result = PyObject_CallMethodNoArgs(o, STR(__reversed__));
    Py_DECREF(o);
    return result;
}

static PyMethodDef proxy_methods[] = {
    { "__bytes__", proxy_bytes, METH_NOARGS, NULL },
    { "__reversed__", proxy_reversed, METH_NOARGS, NULL },
    { 0 }
};

static PyNumberMethods proxy_as_number = {
    .nb_add = proxy_add, .nb_subtract = proxy_subtract, .nb_multiply = proxy_multiply, .nb_remainder = proxy_remainder,
    .nb_divmod = proxy_divmod, .nb_power = proxy_power, .nb_negative = proxy_negative, .nb_positive = proxy_positive,
    .nb_absolute = proxy_absolute, .nb_bool = proxy_bool, .nb_invert = proxy_invert, .nb_lshift = proxy_lshift,
    .nb_rshift = proxy_rshift, .nb_and = proxy_and, .nb_xor = proxy_xor, .nb_or = proxy_or, .nb_int = proxy_int,
    .nb_float = proxy_float, .nb_inplace_add = proxy_inplace_add, .nb_inplace_subtract = proxy_inplace_subtract,
    .nb_inplace_multiply = proxy_inplace_multiply, .nb_inplace_remainder = proxy_inplace_remainder,
    .nb_inplace_power = proxy_inplace_power, .nb_inplace_lshift = proxy_inplace_lshift,
    .nb_inplace_rshift = proxy_inplace_rshift, .nb_inplace_and = proxy_inplace_and, .nb_inplace_xor = proxy_inplace_xor,
    .nb_inplace_or = proxy_inplace_or, .nb_floor_divide = proxy_floor_divide, .nb_true_divide = proxy_true_divide,
    .nb_inplace_floor_divide = proxy_inplace_floor_divide, .nb_inplace_true_divide = proxy_inplace_true_divide,
    .nb_index = proxy_index, .nb_matrix_multiply = proxy_matrix_multiply,
    .nb_inplace_matrix_multiply = proxy_inplace_matrix_multiply,
};
static PySequenceMethods proxy_as_sequence = { .sq_length = proxy_length, .sq_contains = proxy_contains };
static PyMappingMethods proxy_as_mapping = { .mp_length = proxy_length, .mp_subscript = proxy_getitem, .mp_ass_subscript = proxy_setitem };

#define PROXY_TYPE_COMMON                                                                                               \
    .tp_basicsize = sizeof(PyWeakReference),                                                                            \
    .tp_dealloc = weakref_dealloc,                                                                                      \
    .tp_repr = proxy_repr,                                                                                              \
    .tp_as_number = &proxy_as_number,                                                                                   \
    .tp_as_sequence = &proxy_as_sequence,                                                                               \
    .tp_as_mapping = &proxy_as_mapping,                                                                                 \
    .tp_hash = PyObject_HashNotImplemented,                                                                             \
    .tp_str = proxy_str,                                                                                                \
    .tp_getattro = proxy_getattr,                                                                                       \
    .tp_setattro = proxy_setattr,                                                                                       \
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,                                                                \
    .tp_traverse = weakref_traverse,                                                                                    \
    .tp_clear = weakref_clear,                                                                                          \
    .tp_richcompare = proxy_richcompare,                                                                                \
    .tp_iter = proxy_iter,                                                                                              \
    .tp_methods = proxy_methods,                                                                                        \
    .tp_alloc = PyType_GenericAlloc,                                                                                    \
    .tp_free = PyObject_GC_Del

PyTypeObject _PyWeakref_ProxyType = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "weakref.ProxyType",
    PROXY_TYPE_COMMON,
    .tp_iternext = proxy_iternext,
};

PyTypeObject _PyWeakref_CallableProxyType = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "weakref.CallableProxyType",
    PROXY_TYPE_COMMON,
    .tp_call = proxy_call,
    .tp_iternext = proxy_iternext,
};
