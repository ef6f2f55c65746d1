/* Struct sequences: tuples whose fields have names, some of which lie behind the visible length.
 *
 *   PyVarObject (ob_size = visible) | visible items | hidden items
 *
 * tp_basicsize includes the hidden items, so their number can be read off the type; the names are the type's tp_members (unnamed
 * fields have none), the three counts stand in its dict. */
#include "objects/containers_private.h"
#include "objects/tuple.h"

const char *const PyStructSequence_UnnamedField = "unnamed field";

#define ITEMS(o) (((PyStructSequence *)(o))->ob_item)

static Py_ssize_t type_hidden(PyTypeObject *type) { return (type->tp_basicsize - PyTuple_Type.tp_basicsize) / (Py_ssize_t)sizeof(PyObject *); }
static Py_ssize_t real_size(PyObject *o) { return Py_SIZE(o) + type_hidden(Py_TYPE(o)); }

/* n_fields and the like. -1 with an exception. */
static Py_ssize_t type_count(PyTypeObject *type, const char *name)
{
    PyObject *dict = PyType_GetDict(type), *value;
    Py_ssize_t n = -1;
    if (!dict) return -1;
    int found = PyDict_GetItemStringRef(dict, name, &value);
    Py_DECREF(dict);
    if (found == 0) PyErr_Format(PyExc_TypeError, "Missed attribute '%s' of type %s", name, type->tp_name);
    if (found > 0) {
        n = PyLong_AsSsize_t(value);
        Py_DECREF(value);
    }
    return n;
}

/* ---- instances ------------------------------------------------------------------------------------------------------------ */

PyObject *PyStructSequence_New(PyTypeObject *type)
{
    Py_ssize_t visible = type_count(type, "n_sequence_fields"), hidden = type_hidden(type);
    if (visible < 0) return NULL;
    PyStructSequence *o = PyObject_GC_NewVar(PyStructSequence, type, visible);
    if (!o) return NULL;
    for (Py_ssize_t i = 0; i < visible + hidden; i++) o->ob_item[i] = NULL;
    return OBJECT(o);
}

void PyStructSequence_SetItem(PyObject *o, Py_ssize_t i, PyObject *value)      /* steals */
{
    assert(i >= 0 && i < real_size(o));
    ITEMS(o)[i] = value;
}

PyObject *PyStructSequence_GetItem(PyObject *o, Py_ssize_t i)
{
    assert(i >= 0 && i < real_size(o));
    return ITEMS(o)[i];
}

static int structseq_traverse(PyObject *o, visitproc visit, void *arg)
{
    if (Py_TYPE(o)->tp_flags & Py_TPFLAGS_HEAPTYPE) Py_VISIT(Py_TYPE(o));
    for (Py_ssize_t i = 0, n = real_size(o); i < n; i++) Py_VISIT(ITEMS(o)[i]);
    return 0;
}

static void structseq_dealloc(PyObject *o)
{
    PyTypeObject *type = Py_TYPE(o);
    PyObject_GC_UnTrack(o);
    for (Py_ssize_t i = 0, n = real_size(o); i < n; i++) Py_XDECREF(ITEMS(o)[i]);
    PyObject_GC_Del(o);
    if (type->tp_flags & Py_TPFLAGS_HEAPTYPE) Py_DECREF(type);
}

SIGNATURE(structseq_signature, "structseq", KEYWORDS, "(sequence, dict=None)");

/* The sequence must give at least the visible and at most all fields. */
static int check_length(PyTypeObject *type, Py_ssize_t n, Py_ssize_t min, Py_ssize_t max)
{
    if (n >= min && n <= max) return 0;
    if (min == max) PyErr_Format(PyExc_TypeError, "%.500s() takes a %zd-sequence (%zd-sequence given)", type->tp_name, min, n);
    else if (n < min)
        PyErr_Format(PyExc_TypeError, "%.500s() takes an at least %zd-sequence (%zd-sequence given)", type->tp_name, min, n);
    else PyErr_Format(PyExc_TypeError, "%.500s() takes an at most %zd-sequence (%zd-sequence given)", type->tp_name, max, n);
    return -1;
}

PyObject *structseq_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *arg[2], *sequence, *dict, *o = NULL;
    if (args_bind_tuple(&structseq_signature, args, kwargs, arg) < 0) return NULL;
    dict = arg[1];                                         /* None is not the same as nothing */
    Py_ssize_t min = type_count(type, "n_sequence_fields"), max = type_count(type, "n_fields"), unnamed = type_count(type, "n_unnamed_fields");
    if (min < 0 || max < 0 || unnamed < 0) return NULL;
    if (!(sequence = PySequence_Fast(arg[0], "constructor requires a sequence"))) return NULL;
    Py_ssize_t n = PySequence_Fast_GET_SIZE(sequence), taken = 0;
    if (dict && !PyDict_Check(dict)) {
        PyErr_Format(PyExc_TypeError, "%.500s() takes a dict as second arg, if any", type->tp_name);
        goto fail;
    }
    if (check_length(type, n, min, max) < 0 || !(o = PyStructSequence_New(type))) goto fail;
    for (Py_ssize_t i = 0; i < n; i++) ITEMS(o)[i] = Py_NewRef(PySequence_Fast_GET_ITEM(sequence, i));
    for (Py_ssize_t i = n; i < max; i++) {
        PyObject *value = NULL;
        if (dict) {
            int found = PyDict_GetItemStringRef(dict, type->tp_members[i - unnamed].name, &value);
            if (found < 0) goto fail;
            taken += found;
        }
        ITEMS(o)[i] = value ? value : Py_None;
    }
    if (dict && PyDict_GET_SIZE(dict) > taken) {
        PyErr_Format(PyExc_TypeError, "%.500s() got duplicate or unexpected field name(s)", type->tp_name);
        goto fail;
    }
    Py_DECREF(sequence);
    PyObject_GC_Track(o);
    return o;
fail:
    Py_DECREF(sequence);
    Py_XDECREF(o);
    return NULL;
}

static PyObject *structseq_repr(PyObject *o)
{
    PyTypeObject *type = Py_TYPE(o);
    _PyUnicodeWriter w;
    _PyUnicodeWriter_Init(&w);
    w.overallocate = 1;
    if (_PyUnicodeWriter_WriteASCIIString(&w, type->tp_name, (Py_ssize_t)strlen(type->tp_name)) < 0 ||
        _PyUnicodeWriter_WriteASCIIString(&w, "(", 1) < 0) goto fail;
    for (Py_ssize_t i = 0; i < Py_SIZE(o); i++) {
        const char *name = type->tp_members[i].name;
        if (!name) {
            PyErr_Format(PyExc_SystemError, "In structseq_repr(), member %zd name is NULL for type %.500s", i, type->tp_name);
            goto fail;
        }
        PyObject *text = PyUnicode_FromFormat(i ? ", %s=%R" : "%s=%R", name, ITEMS(o)[i]);
        if (!text) goto fail;
        int status = _PyUnicodeWriter_WriteStr(&w, text);
        Py_DECREF(text);
        if (status < 0) goto fail;
    }
    if (_PyUnicodeWriter_WriteASCIIString(&w, ")", 1) < 0) goto fail;
    return _PyUnicodeWriter_Finish(&w);
fail:
    _PyUnicodeWriter_Dealloc(&w);
    return NULL;
}

/* A dict of the fields behind the visible ones. */
static PyObject *hidden_fields(PyObject *o)
{
    Py_ssize_t unnamed = type_count(Py_TYPE(o), "n_unnamed_fields"), n = real_size(o);
    PyObject *dict = unnamed < 0 ? NULL : PyDict_New();
    for (Py_ssize_t i = Py_SIZE(o); dict && i < n; i++) {
        PyObject *value = ITEMS(o)[i] ? ITEMS(o)[i] : Py_None;
        if (PyDict_SetItemString(dict, Py_TYPE(o)->tp_members[i - unnamed].name, value) < 0) Py_CLEAR(dict);
    }
    return dict;
}

BUILTIN_NOARGS(structseq, __reduce__, "($self, /)", "Type, fields and hidden fields for pickling.")
{
    PyObject *visible = tuple_from_array(ITEMS(self), Py_SIZE(self)), *hidden = visible ? hidden_fields(self) : NULL;
    if (!hidden) {
        Py_XDECREF(visible);
        return NULL;
    }
    return Py_BuildValue("(O(NN))", Py_TYPE(self), visible, hidden);
}

static PyObject *structseq_replace(PyObject *self, PyObject *args, PyObject *kwargs)
{
    PyTypeObject *type = Py_TYPE(self);
    if (PyTuple_GET_SIZE(args)) {
        PyErr_SetString(PyExc_TypeError, "__replace__() takes no positional arguments");
        return NULL;
    }
    Py_ssize_t unnamed = type_count(type, "n_unnamed_fields"), n = real_size(self);
    if (unnamed < 0) return NULL;
    if (unnamed > 0) {
        PyErr_Format(PyExc_TypeError, "__replace__() is not supported for %.500s because it has unnamed field(s)", type->tp_name);
        return NULL;
    }
    PyObject *left = kwargs ? PyDict_Copy(kwargs) : NULL, *result = NULL;
    if ((kwargs && !left) || !(result = PyStructSequence_New(type))) goto fail;
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *value = NULL;
        if (left && PyDict_PopString(left, type->tp_members[i].name, &value) < 0) goto fail;
        ITEMS(result)[i] = value ? value : Py_XNewRef(ITEMS(self)[i]);
    }
    if (left && PyDict_GET_SIZE(left)) {
        PyObject *names = PyDict_Keys(left);
        if (names) PyErr_Format(PyExc_TypeError, "Got unexpected field name(s): %R", names);
        Py_XDECREF(names);
        goto fail;
    }
    Py_XDECREF(left);
    PyObject_GC_Track(result);
    return result;
fail:
    Py_XDECREF(left);
    Py_XDECREF(result);
    return NULL;
}

static PyMethodDef structseq_methods[] = {
    METHOD(structseq, __reduce__),
    { "__replace__", (PyCFunction)(void (*)(void))structseq_replace, METH_VARARGS | METH_KEYWORDS,
      "__replace__($self, /, **changes)\n--\n\nReturn a copy of the structure with new values for the specified fields." },
    { 0 },
};

/* ---- types ---------------------------------------------------------------------------------------------------------------------- */

typedef struct Layout { Py_ssize_t fields, unnamed; PyMemberDef *members; } Layout;

/* Members in memory of their own. 0 or -1. */
static int lay_out(const PyStructSequence_Desc *desc, Layout *out)
{
    Py_ssize_t n = 0, named = 0;
    for (; desc->fields[n].name; n++) named += desc->fields[n].name != PyStructSequence_UnnamedField;
    PyMemberDef *members = PyMem_Calloc((size_t)named + 1, sizeof(PyMemberDef));
    if (!members) {
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t i = 0, k = 0; i < n; i++) {
        if (desc->fields[i].name == PyStructSequence_UnnamedField) continue;
        members[k].name = desc->fields[i].name;
        members[k].type = _Py_T_OBJECT;
        members[k].offset = (Py_ssize_t)offsetof(PyStructSequence, ob_item) + i * (Py_ssize_t)sizeof(PyObject *);
        members[k].flags = Py_READONLY;
        members[k].doc = desc->fields[i].doc;
        k++;
    }
    *out = (Layout){ n, n - named, members };
    return 0;
}

static int set_count(PyObject *dict, const char *name, Py_ssize_t value)
{
    PyObject *number = PyLong_FromSsize_t(value);
    int status = number ? PyDict_SetItemString(dict, name, number) : -1;
    Py_XDECREF(number);
    return status;
}

/* The three counts and __match_args__. */
static int describe(PyObject *dict, const PyStructSequence_Desc *desc, const Layout *layout)
{
    if (set_count(dict, "n_sequence_fields", desc->n_in_sequence) < 0 || set_count(dict, "n_fields", layout->fields) < 0 ||
        set_count(dict, "n_unnamed_fields", layout->unnamed) < 0) return -1;
    PyObject *names = PyList_New(0), *tuple = NULL;
    int status = names ? 0 : -1;
    for (Py_ssize_t i = 0; status == 0 && i < desc->n_in_sequence; i++) {
        if (desc->fields[i].name == PyStructSequence_UnnamedField) continue;
        PyObject *name = PyUnicode_FromString(desc->fields[i].name);
        status = name ? PyList_Append(names, name) : -1;
        Py_XDECREF(name);
    }
    if (status == 0) status = (tuple = PyList_AsTuple(names)) ? PyDict_SetItemString(dict, "__match_args__", tuple) : -1;
    Py_XDECREF(names);
    Py_XDECREF(tuple);
    return status;
}

static Py_ssize_t basic_size(const PyStructSequence_Desc *desc, const Layout *layout)
{
    return PyTuple_Type.tp_basicsize + (layout->fields - desc->n_in_sequence) * (Py_ssize_t)sizeof(PyObject *);
}

int PyStructSequence_InitType2(PyTypeObject *type, PyStructSequence_Desc *desc)
{
    Layout layout;
    if (Py_REFCNT(type) != 1 && !_Py_IsImmortal(type)) {
        PyErr_BadInternalCall();
        return -1;
    }
    if (lay_out(desc, &layout) < 0) return -1;
    type->tp_name = desc->name;
    type->tp_basicsize = basic_size(desc, &layout);
    type->tp_itemsize = sizeof(PyObject *);
    type->tp_dealloc = structseq_dealloc;
    type->tp_repr = structseq_repr;
    type->tp_doc = desc->doc;
    type->tp_base = &PyTuple_Type;
    type->tp_methods = structseq_methods;
    type->tp_new = structseq_new;
    type->tp_flags |= Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC;
    type->tp_traverse = structseq_traverse;
    type->tp_members = layout.members;
    if (PyType_Ready(type) < 0) {
        PyMem_Free(layout.members);
        return -1;
    }
    PyObject *dict = PyType_GetDict(type);
    int status = dict ? describe(dict, desc, &layout) : -1;
    Py_XDECREF(dict);
    PyType_Modified(type);
    return status;
}

void PyStructSequence_InitType(PyTypeObject *type, PyStructSequence_Desc *desc) { (void)PyStructSequence_InitType2(type, desc); }

PyTypeObject *PyStructSequence_NewType(PyStructSequence_Desc *desc)
{
    Layout layout;
    if (lay_out(desc, &layout) < 0) return NULL;
    PyType_Slot slots[] = {
        { Py_tp_dealloc, (void *)structseq_dealloc }, { Py_tp_repr, (void *)structseq_repr }, { Py_tp_doc, (void *)desc->doc },
        { Py_tp_methods, structseq_methods }, { Py_tp_new, (void *)structseq_new }, { Py_tp_members, layout.members },
        { Py_tp_traverse, (void *)structseq_traverse }, { 0, NULL },
    };
    PyType_Spec spec = {
        .name = desc->name, .basicsize = (int)basic_size(desc, &layout), .itemsize = sizeof(PyObject *),
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC, .slots = slots,
    };
    PyTypeObject *type = (PyTypeObject *)PyType_FromSpecWithBases(&spec, OBJECT(&PyTuple_Type));
    PyMem_Free(layout.members);                            /* the type has a copy */
    if (!type) return NULL;
    PyObject *dict = PyType_GetDict(type);
    int status = dict ? describe(dict, desc, &layout) : -1;
    Py_XDECREF(dict);
    if (status < 0) {
        Py_DECREF(type);
        return NULL;
    }
    PyType_Modified(type);
    return type;
}
