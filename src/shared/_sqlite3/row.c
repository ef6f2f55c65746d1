/* Row: a row whose columns are found by number, by name (ASCII letters in either case) or by slice. Immutable. */
#include "sqlite.h"

typedef struct Row { PyObject_HEAD PyObject *data, *description; } Row;     /* a tuple; a tuple of tuples, or None */

#define ROW(o) ((Row *)(o))

static PyObject *row_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static const char function[] = "Row";
    if (kwargs && PyDict_GET_SIZE(kwargs)) return PyErr_Format(PyExc_TypeError, "%s() takes no keyword arguments", function);
    PyObject *cursor, *data;
    if (!PyArg_UnpackTuple(args, function, 2, 2, &cursor, &data)) return NULL;
    PyObject *module = PyType_GetModuleByDef(type, &sqlite_module);
    if (!module) return NULL;
    Sqlite *state = PyModule_GetState(module);
    if (!PyObject_TypeCheck(cursor, state->cursor))
        return PyErr_Format(PyExc_TypeError, "Row() argument 1 must be sqlite3.Cursor, not %.50s", cursor == Py_None ? "None" : Py_TYPE(cursor)->tp_name);
    if (!PyTuple_Check(data))
        return PyErr_Format(PyExc_TypeError, "Row() argument 2 must be tuple, not %.50s", data == Py_None ? "None" : Py_TYPE(data)->tp_name);
    Row *row = ROW(type->tp_alloc(type, 0));
    if (!row) return NULL;
    PyObject *description = CURSOR(cursor)->description;
    row->data = Py_NewRef(data);
    row->description = Py_NewRef(description ? description : Py_None);
    return (PyObject *)row;
}

static int row_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(ROW(self)->data);
    Py_VISIT(ROW(self)->description);
    return 0;
}

static int row_clear(PyObject *self)
{
    Py_CLEAR(ROW(self)->data);
    Py_CLEAR(ROW(self)->description);
    return 0;
}

static void row_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    row_clear(self);
    type->tp_free(self);
    Py_DECREF(type);
}

static Py_ssize_t row_columns(Row *row) { return row->description == Py_None ? 0 : PyTuple_GET_SIZE(row->description); }
static PyObject *row_column(Row *row, Py_ssize_t i) { return PyTuple_GET_ITEM(PyTuple_GET_ITEM(row->description, i), 0); }

/* 1, 0 or -1: equal, letters A to Z being as a to z when both are ASCII. */
static int same_name(PyObject *a, PyObject *b)
{
    int same = PyObject_RichCompareBool(a, b, Py_EQ);
    if (same || !PyUnicode_IS_ASCII(a) || !PyUnicode_IS_ASCII(b) || PyUnicode_GET_LENGTH(a) != PyUnicode_GET_LENGTH(b)) return same;
    return sqlite3_strnicmp(PyUnicode_DATA(a), PyUnicode_DATA(b), (int)PyUnicode_GET_LENGTH(a)) == 0 &&
           !memchr(PyUnicode_DATA(a), 0, (size_t)PyUnicode_GET_LENGTH(a));
}

static PyObject *row_by_name(Row *row, PyObject *name)
{
    for (Py_ssize_t i = 0, n = row_columns(row); i < n; i++) {
        int same = same_name(name, row_column(row, i));
        if (same < 0) return NULL;
        if (same) return Py_XNewRef(PyTuple_GetItem(row->data, i));
    }
    return PyErr_Format(PyExc_IndexError, "No item with key %R", name);
}

static PyObject *row_item(PyObject *self, Py_ssize_t at) { return Py_XNewRef(PyTuple_GetItem(ROW(self)->data, at)); }

static PyObject *row_subscript(PyObject *self, PyObject *key)
{
    Row *row = ROW(self);
    if (PyLong_Check(key)) {
        Py_ssize_t at = PyNumber_AsSsize_t(key, PyExc_IndexError);
        if (at == -1 && PyErr_Occurred()) return NULL;
        return row_item(self, at < 0 ? at + PyTuple_GET_SIZE(row->data) : at);
    }
    if (PyUnicode_Check(key)) return row_by_name(row, key);
    if (PySlice_Check(key)) return PyObject_GetItem(row->data, key);
    PyErr_SetString(PyExc_IndexError, "Index must be int or string");
    return NULL;
}

static Py_ssize_t row_length(PyObject *self) { return PyTuple_GET_SIZE(ROW(self)->data); }
static PyObject *row_iter(PyObject *self) { return PyObject_GetIter(ROW(self)->data); }

static Py_hash_t row_hash(PyObject *self)
{
    Py_hash_t a = PyObject_Hash(ROW(self)->description), b = a == -1 ? -1 : PyObject_Hash(ROW(self)->data);
    if (a == -1 || b == -1) return -1;
    Py_hash_t h = a ^ b;
    return h == -1 ? -2 : h;
}

static PyObject *row_compare(PyObject *self, PyObject *other, int op)
{
    if (op != Py_EQ && op != Py_NE) Py_RETURN_NOTIMPLEMENTED;
    Sqlite *state = sqlite_state_of(self);
    if (!state) return NULL;
    if (!PyObject_TypeCheck(other, state->row)) Py_RETURN_NOTIMPLEMENTED;
    int same = PyObject_RichCompareBool(ROW(self)->description, ROW(other)->description, Py_EQ);
    if (same < 0) return NULL;
    if (same) return PyObject_RichCompare(ROW(self)->data, ROW(other)->data, op);
    return PyBool_FromLong(op == Py_NE);
}

BUILTIN_NOARGS(row, keys, "($self, /)", "The names of the columns.")
{
    Py_ssize_t n = row_columns(ROW(self));
    PyObject *names = PyList_New(n);
    for (Py_ssize_t i = 0; names && i < n; i++) PyList_SET_ITEM(names, i, Py_NewRef(row_column(ROW(self), i)));
    return names;
}

static PyMethodDef row_methods[] = { METHOD(row, keys), { 0 } };

static PyType_Slot row_slots[] = {
    { Py_tp_new, row_new }, { Py_tp_dealloc, row_dealloc }, { Py_tp_traverse, row_traverse }, { Py_tp_clear, row_clear },
    { Py_tp_methods, row_methods }, { Py_tp_hash, row_hash }, { Py_tp_richcompare, row_compare }, { Py_tp_iter, row_iter },
    { Py_mp_length, row_length }, { Py_mp_subscript, row_subscript }, { Py_sq_length, row_length }, { Py_sq_item, row_item }, { 0, NULL }
};
static PyType_Spec row_spec = {
    "sqlite3.Row", sizeof(Row), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE, row_slots
};

int row_add_type(PyObject *module, Sqlite *state) { return (state->row = sqlite_add_type(module, &row_spec, true)) ? 0 : -1; }
