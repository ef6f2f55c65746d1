/* bool: int's two instances with names. They are laid out as ints, immortal and static. */
#include "objects/long.h"

#include "capi/args.h"

_Static_assert(sizeof(PyLongObject) == 32, "True and False are ints of one digit");

#define BOOL_INIT(value) { { { _Py_IMMORTAL_REFCNT }, &PyBool_Type }, { (value) ? 1 << _PyLong_NON_SIZE_BITS : LONG_ZERO, { value } } }

PyLongObject _Py_FalseStruct = BOOL_INIT(0);
PyLongObject _Py_TrueStruct = BOOL_INIT(1);

PyAPI_FUNC(int) (Py_IsTrue)(PyObject *x);
PyAPI_FUNC(int) (Py_IsFalse)(PyObject *x);
int (Py_IsTrue)(PyObject *x) { return x == Py_True; }
int (Py_IsFalse)(PyObject *x) { return x == Py_False; }

PyObject *PyBool_FromLong(long value) { return value ? Py_True : Py_False; }

static PyObject *bool_repr(PyObject *self) { return self == Py_True ? STR(True) : STR(False); }

static PyObject *bool_from(PyObject *x)
{
    int truth = x ? PyObject_IsTrue(x) : 0;
    return truth < 0 ? NULL : PyBool_FromLong(truth);
}

SIGNATURE(bool_signature, "bool", POSITIONAL, "(object=False, /)");

static PyObject *bool_new(PyTypeObject *Py_UNUSED(type), PyObject *args, PyObject *kwargs)
{
    PyObject *arg[1];
    if (args_bind_tuple(&bool_signature, args, kwargs, arg) < 0) return NULL;
    return bool_from(arg[0]);
}

static PyObject *bool_vectorcall(PyObject *Py_UNUSED(type), PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    PyObject *arg[1];
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    if (LIKELY(nargs == 1 && !kwnames)) return bool_from(args[0]);
    if (args_bind(&bool_signature, args, nargs, kwnames, arg) < 0) return NULL;
    return bool_from(arg[0]);
}

static PyObject *bool_invert(PyObject *self)
{
    if (PyErr_WarnEx(PyExc_DeprecationWarning,
                     "Bitwise inversion '~' on bool is deprecated and will be removed in Python 3.16. This returns the bitwise "
                     "inversion of the underlying int object and is usually not what you expect from negating a bool. Use the "
                     "'not' operator for boolean negation or ~int(x) if you really want the bitwise inversion of the "
                     "underlying int.", 1) < 0)
        return NULL;
    return self == Py_True ? SMALL_INT(-2) : SMALL_INT(-1);
}

#define LOGICAL_SLOT(name, slot, operator)                                                                \
    static PyObject *name(PyObject *a, PyObject *b)                                                       \
    {                                                                                                     \
        if (!PyBool_Check(a) || !PyBool_Check(b)) return PyLong_Type.tp_as_number->slot(a, b);            \
        return PyBool_FromLong((a == Py_True) operator (b == Py_True));                                   \
    }
LOGICAL_SLOT(bool_and, nb_and, &)
LOGICAL_SLOT(bool_or, nb_or, |)
LOGICAL_SLOT(bool_xor, nb_xor, ^)

static PyNumberMethods bool_as_number = {
    .nb_invert = bool_invert,
    .nb_and = bool_and,
    .nb_xor = bool_xor,
    .nb_or = bool_or,
};

/* Nobody may count True and False down to nothing; if an extension managed it, they are whole again. */
static void bool_dealloc(PyObject *self) { self->ob_refcnt = _Py_IMMORTAL_REFCNT; }

PyDoc_STRVAR(bool_doc,
"bool(object=False, /)\n--\n\n"
"True when the argument is true, False otherwise. True and False are the\n"
"only two instances; the class is a subclass of int and cannot be subclassed.");

PyTypeObject PyBool_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "bool",
    .tp_basicsize = offsetof(PyLongObject, long_value.ob_digit),
    .tp_itemsize = sizeof(digit),
    .tp_dealloc = bool_dealloc,
    .tp_repr = bool_repr,
    .tp_as_number = &bool_as_number,
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_doc = bool_doc,
    .tp_base = &PyLong_Type,
    .tp_new = bool_new,
    .tp_vectorcall = bool_vectorcall,
};
