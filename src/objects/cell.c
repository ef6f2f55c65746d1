/* cell: a variable shared by functions. */
#include "objects/type.h"

#include "memory/alloc.h"

#define CELL(o) ((PyCellObject *)(o))

PyObject *PyCell_New(PyObject *value)
{
    Thread *t = thread_get();
    PyCellObject *cell = (PyCellObject *)gc_alloc(t, &PyCell_Type, sizeof *cell, 0);
    if (!cell) return NULL;
    cell->ob_ref = Py_XNewRef(value);
    gc_track(t, OBJECT(cell));
    return OBJECT(cell);
}

PyObject *PyCell_Get(PyObject *o)
{
    if (PyCell_Check(o)) return Py_XNewRef(CELL(o)->ob_ref);
    PyErr_BadInternalCall();
    return NULL;
}

int PyCell_Set(PyObject *o, PyObject *value)
{
    if (!PyCell_Check(o)) {
        PyErr_BadInternalCall();
        return -1;
    }
    PyObject *old = CELL(o)->ob_ref;
    CELL(o)->ob_ref = Py_XNewRef(value);
    Py_XDECREF(old);
    return 0;
}

static PyObject *cell_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    PyObject *value = NULL;
    (void)type;
    if (kwds && PyDict_GET_SIZE(kwds)) {
        PyErr_SetString(PyExc_TypeError, "cell() takes no keyword arguments");
        return NULL;
    }
    return PyArg_UnpackTuple(args, "cell", 0, 1, &value) ? PyCell_New(value) : NULL;
}

static void cell_dealloc(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    Py_XDECREF(CELL(self)->ob_ref);
    PyObject_GC_Del(self);
}

static int cell_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(CELL(self)->ob_ref);
    return 0;
}

static int cell_clear(PyObject *self)
{
    Py_CLEAR(CELL(self)->ob_ref);
    return 0;
}

/* Empty cells come before full ones; full ones compare as their contents. */
static PyObject *cell_richcompare(PyObject *a, PyObject *b, int op)
{
    if (!PyCell_Check(a) || !PyCell_Check(b)) Py_RETURN_NOTIMPLEMENTED;
    PyObject *x = CELL(a)->ob_ref, *y = CELL(b)->ob_ref;
    if (x && y) {
        Py_INCREF(x);
        Py_INCREF(y);
        PyObject *result = PyObject_RichCompare(x, y, op);
        Py_DECREF(x);
        Py_DECREF(y);
        return result;
    }
    Py_RETURN_RICHCOMPARE(x != NULL, y != NULL, op);
}

static PyObject *cell_repr(PyObject *self)
{
    PyObject *value = CELL(self)->ob_ref;
    if (!value) return PyUnicode_FromFormat("<cell at %p: empty>", self);
    return PyUnicode_FromFormat("<cell at %p: %.80s object at %p>", self, Py_TYPE(value)->tp_name, value);
}

static PyObject *cell_get_contents(PyObject *self, void *Py_UNUSED(c))
{
    if (CELL(self)->ob_ref) return Py_NewRef(CELL(self)->ob_ref);
    PyErr_SetString(PyExc_ValueError, "Cell is empty");
    return NULL;
}

static int cell_set_contents(PyObject *self, PyObject *value, void *Py_UNUSED(c)) { return PyCell_Set(self, value); }

static PyGetSetDef cell_getset[] = { { "cell_contents", cell_get_contents, cell_set_contents, NULL, NULL }, { NULL } };

PyTypeObject PyCell_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "cell",
    .tp_basicsize = sizeof(PyCellObject),
    .tp_dealloc = cell_dealloc,
    .tp_repr = cell_repr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_doc = "cell([contents])\n--\n\nHold a variable that functions share; cell_contents is its value.",
    .tp_traverse = cell_traverse,
    .tp_clear = cell_clear,
    .tp_richcompare = cell_richcompare,
    .tp_getset = cell_getset,
    .tp_new = cell_new,
};
