/* types.UnionType: int | str (PEP 604). A set of types that remembers its order. */
#include "objects/genericalias.h"

#include "objects/types_extern.h"

typedef struct Union {
    PyObject_HEAD
    PyObject *args, *parameters;
} Union;

#define UNION(o) ((Union *)(o))

static bool is_union(PyObject *o) { return Py_IS_TYPE(o, &_PyUnion_Type); }

static bool may_join(PyObject *o)
{
    return o == Py_None || PyType_Check(o) || PyObject_TypeCheck(o, &Py_GenericAliasType) || Py_IS_TYPE(o, &typealias_type) || is_union(o);
}

/* 1 when list has it already. */
static int contains(PyObject *list, PyObject *o)
{
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); i++) {
        PyObject *other = PyList_GET_ITEM(list, i);
        if (other == o) return 1;
        if (!PyObject_TypeCheck(other, &Py_GenericAliasType) || !PyObject_TypeCheck(o, &Py_GenericAliasType)) continue;
        int equal = PyObject_RichCompareBool(other, o, Py_EQ);
        if (equal) return equal;
    }
    return 0;
}

static int add(PyObject *list, PyObject *o)
{
    if (is_union(o)) {
        PyObject *args = UNION(o)->args;
        for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(args); i++)
            if (add(list, PyTuple_GET_ITEM(args, i)) < 0) return -1;
        return 0;
    }
    if (o == Py_None) o = OBJECT(&_PyNone_Type);
    int there = contains(list, o);
    return there ? (there < 0 ? -1 : 0) : PyList_Append(list, o);
}

static PyObject *union_new(PyObject *list)
{
    if (PyList_GET_SIZE(list) == 1) return Py_NewRef(PyList_GET_ITEM(list, 0));
    PyObject *args = PyList_AsTuple(list);
    if (!args) return NULL;
    Union *u = PyObject_GC_New(Union, &_PyUnion_Type);
    if (!u) {
        Py_DECREF(args);
        return NULL;
    }
    u->args = args;
    u->parameters = NULL;
    PyObject_GC_Track(u);
    return OBJECT(u);
}

PyObject *union_or(PyObject *a, PyObject *b)
{
    if (!may_join(a) || !may_join(b)) Py_RETURN_NOTIMPLEMENTED;
    PyObject *list = PyList_New(0), *result = NULL;
    if (list && add(list, a) == 0 && add(list, b) == 0) result = union_new(list);
    Py_XDECREF(list);
    return result;
}

static Py_hash_t union_hash(PyObject *self)
{
    PyObject *set = PyFrozenSet_New(UNION(self)->args);
    if (!set) return -1;
    Py_hash_t h = PyObject_Hash(set);
    Py_DECREF(set);
    return h;
}

static PyObject *union_richcompare(PyObject *a, PyObject *b, int op)
{
    if ((op != Py_EQ && op != Py_NE) || !is_union(b)) Py_RETURN_NOTIMPLEMENTED;
    PyObject *x = PySet_New(UNION(a)->args), *y = PySet_New(UNION(b)->args), *result = NULL;
    if (x && y) result = PyObject_RichCompare(x, y, op);
    Py_XDECREF(x);
    Py_XDECREF(y);
    return result;
}

static PyObject *union_repr(PyObject *self)
{
    PyObject *args = UNION(self)->args;
    _PyUnicodeWriter w;
    _PyUnicodeWriter_Init(&w);
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(args); i++) {
        PyObject *o = PyTuple_GET_ITEM(args, i);
        PyObject *text = o == OBJECT(&_PyNone_Type) ? PyUnicode_FromString("None") : typing_type_repr(o);
        int status = text ? 0 : -1;
        if (status == 0 && i) status = _PyUnicodeWriter_WriteASCIIString(&w, " | ", 3);
        if (status == 0) status = _PyUnicodeWriter_WriteStr(&w, text);
        Py_XDECREF(text);
        if (status < 0) {
            _PyUnicodeWriter_Dealloc(&w);
            return NULL;
        }
    }
    return _PyUnicodeWriter_Finish(&w);
}

static PyObject *union_getattro(PyObject *self, PyObject *name)
{
    if (PyUnicode_Check(name) && PyUnicode_Compare(name, STR(__module__)) == 0) return PyObject_GetAttr(OBJECT(Py_TYPE(self)), name);
    return PyObject_GenericGetAttr(self, name);
}

static PyObject *parameters(Union *u)                          /* BORROWED */
{
    if (!u->parameters) u->parameters = typing_make_parameters(u->args);
    return u->parameters;
}

/* The substituted types may join in ways of their own (typing.Union): with |, one after the other. */
static PyObject *union_getitem(PyObject *self, PyObject *item)
{
    if (!parameters(UNION(self))) return NULL;
    PyObject *args = typing_substitute(self, UNION(self)->args, UNION(self)->parameters, item), *result = NULL;
    if (!args) return NULL;
    if (PyTuple_GET_SIZE(args) == 0) PyErr_Format(PyExc_TypeError, "Cannot create a union of no types");
    else result = Py_NewRef(PyTuple_GET_ITEM(args, 0));
    for (Py_ssize_t i = 1; result && i < PyTuple_GET_SIZE(args); i++) Py_SETREF(result, PyNumber_Or(result, PyTuple_GET_ITEM(args, i)));
    Py_DECREF(args);
    return result;
}

static PyObject *get_parameters(PyObject *self, void *Py_UNUSED(c)) { return Py_XNewRef(parameters(UNION(self))); }

static void union_dealloc(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    Py_XDECREF(UNION(self)->args);
    Py_XDECREF(UNION(self)->parameters);
    PyObject_GC_Del(self);
}

static int union_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(UNION(self)->args);
    Py_VISIT(UNION(self)->parameters);
    return 0;
}

static PyMemberDef union_members[] = { { "__args__", _Py_T_OBJECT, offsetof(Union, args), Py_READONLY, NULL }, { NULL } };
static PyGetSetDef union_getset[] = { { "__parameters__", get_parameters, NULL, "Type variables in the types.UnionType.", NULL }, { NULL } };
static PyNumberMethods union_as_number = { .nb_or = union_or };
static PyMappingMethods union_as_mapping = { .mp_subscript = union_getitem };

PyTypeObject _PyUnion_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "types.UnionType",
    .tp_basicsize = sizeof(Union),
    .tp_dealloc = union_dealloc,
    .tp_repr = union_repr,
    .tp_as_number = &union_as_number,
    .tp_as_mapping = &union_as_mapping,
    .tp_hash = union_hash,
    .tp_getattro = union_getattro,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_doc = "A union of types, as int | str is.",
    .tp_traverse = union_traverse,
    .tp_richcompare = union_richcompare,
    .tp_members = union_members,
    .tp_getset = union_getset,
};
