/* None, NotImplemented and Ellipsis: one immortal object each. */
#include "objects/types_extern.h"

#include "capi/args.h"

static PyObject *no_arguments(PyObject *args, PyObject *kwds, const char *name, PyObject *result)
{
    if (PyTuple_GET_SIZE(args) || (kwds && PyDict_GET_SIZE(kwds))) {
        PyErr_Format(PyExc_TypeError, "%s takes no arguments", name);
        return NULL;
    }
    return Py_NewRef(result);
}

/* An extension with a wrong reference count got here: the object stays. */
static void never_dealloc(PyObject *self) { Py_SET_REFCNT(self, _Py_IMMORTAL_REFCNT); }

static Py_hash_t none_hash(PyObject *self)
{
    (void)self;
    return 0xFCA86420;                                        /* the same in every run */
}

static PyObject *none_repr(PyObject *self) { (void)self; return PyUnicode_FromString("None"); }
static int none_bool(PyObject *self) { (void)self; return 0; }
static PyObject *none_new(PyTypeObject *type, PyObject *args, PyObject *kwds) { (void)type; return no_arguments(args, kwds, "NoneType", Py_None); }

static PyObject *none_richcompare(PyObject *a, PyObject *b, int op)
{
    if (op == Py_EQ && a == b) Py_RETURN_TRUE;
    if (op == Py_NE && a == b) Py_RETURN_FALSE;
    Py_RETURN_NOTIMPLEMENTED;
}

static PyNumberMethods none_as_number = { .nb_bool = none_bool };

PyTypeObject _PyNone_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "NoneType",
    .tp_doc = "NoneType()\n--\n\nThe type of the None singleton.",
    .tp_dealloc = never_dealloc,
    .tp_repr = none_repr,
    .tp_as_number = &none_as_number,
    .tp_hash = none_hash,
    .tp_richcompare = none_richcompare,
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_new = none_new,
};

PyObject _Py_NoneStruct = { .ob_refcnt = _Py_IMMORTAL_REFCNT, .ob_type = &_PyNone_Type };

/* ---- NotImplemented ---------------------------------------------------------------------------------------------------- */

static PyObject *notimplemented_repr(PyObject *self) { (void)self; return PyUnicode_FromString("NotImplemented"); }

BUILTIN_NOARGS(notimplemented, __reduce__, "($self, /)", "Helper for pickle.") { (void)self; return PyUnicode_FromString("NotImplemented"); }

static PyMethodDef notimplemented_methods[] = { METHOD(notimplemented, __reduce__), { NULL } };

static PyObject *notimplemented_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    (void)type;
    return no_arguments(args, kwds, "NotImplementedType", Py_NotImplemented);
}

static int notimplemented_bool(PyObject *self)
{
    (void)self;
    if (PyErr_WarnEx(PyExc_DeprecationWarning, "NotImplemented should not be used in a boolean context", 1) < 0) return -1;
    return 1;
}

static PyNumberMethods notimplemented_as_number = { .nb_bool = notimplemented_bool };

PyTypeObject _PyNotImplemented_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "NotImplementedType",
    .tp_doc = "NotImplementedType()\n--\n\nThe type of the NotImplemented singleton.",
    .tp_dealloc = never_dealloc,
    .tp_repr = notimplemented_repr,
    .tp_as_number = &notimplemented_as_number,
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_methods = notimplemented_methods,
    .tp_new = notimplemented_new,
};

PyObject _Py_NotImplementedStruct = { .ob_refcnt = _Py_IMMORTAL_REFCNT, .ob_type = &_PyNotImplemented_Type };

/* ---- Ellipsis -------------------------------------------------------------------------------------------------------------- */

static PyObject *ellipsis_repr(PyObject *self) { (void)self; return PyUnicode_FromString("Ellipsis"); }

BUILTIN_NOARGS(ellipsis, __reduce__, "($self, /)", "Helper for pickle.") { (void)self; return PyUnicode_FromString("Ellipsis"); }

static PyMethodDef ellipsis_methods[] = { METHOD(ellipsis, __reduce__), { NULL } };

static PyObject *ellipsis_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    (void)type;
    return no_arguments(args, kwds, "EllipsisType", Py_Ellipsis);
}

PyTypeObject PyEllipsis_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "ellipsis",
    .tp_doc = "ellipsis()\n--\n\nThe type of the Ellipsis singleton.",
    .tp_dealloc = never_dealloc,
    .tp_repr = ellipsis_repr,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_methods = ellipsis_methods,
    .tp_new = ellipsis_new,
};

PyObject _Py_EllipsisObject = { .ob_refcnt = _Py_IMMORTAL_REFCNT, .ob_type = &PyEllipsis_Type };
