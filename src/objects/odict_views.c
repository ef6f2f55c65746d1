/* The iterator of OrderedDict, over keys, values or pairs in either direction, and its three views. */
#include "objects/odict_private.h"

typedef struct OdictIterator {
    PyObject_HEAD
    int kind;                                 /* ODICT_* */
    PyODictObject *od;                        /* NULL when exhausted */
    Py_ssize_t size;                          /* of the dict at the start; -1 after a complaint */
    size_t state;
    PyObject *result;                         /* pair to reuse */
    PyObject *key;                            /* the next key, NULL at the end */
} OdictIterator;

#define ITERATOR(o) ((OdictIterator *)(o))

PyObject *odict_iterator_new(PyODictObject *od, int kind)
{
    OdictIterator *it = PyObject_GC_New(OdictIterator, &PyODictIter_Type);
    if (!it) return NULL;
    it->kind = kind;
    it->od = NULL;
    it->key = NULL;
    it->result = NULL;
    if ((kind & 3) == ODICT_ITEMS && !(it->result = PyTuple_Pack(2, Py_None, Py_None))) {
        Py_DECREF(it);
        return NULL;
    }
    Node *node = kind & ODICT_REVERSED ? od->last : od->first;
    it->key = node ? Py_NewRef(node->key) : NULL;
    it->size = od->dict.ma_used;
    it->state = od->state;
    it->od = (PyODictObject *)Py_NewRef(od);
    PyObject_GC_Track(it);
    return OBJECT(it);
}

static int odictiter_clear(PyObject *o)
{
    Py_CLEAR(ITERATOR(o)->od);
    Py_CLEAR(ITERATOR(o)->result);
    Py_CLEAR(ITERATOR(o)->key);
    return 0;
}

static void odictiter_dealloc(PyObject *o)
{
    PyObject_GC_UnTrack(o);
    odictiter_clear(o);
    PyObject_GC_Del(o);
}

static int odictiter_traverse(PyObject *o, visitproc visit, void *arg)
{
    Py_VISIT(ITERATOR(o)->od);
    Py_VISIT(ITERATOR(o)->result);
    Py_VISIT(ITERATOR(o)->key);
    return 0;
}

/* The key to give now; the next one is made ready. New reference, or NULL. */
static PyObject *next_key(OdictIterator *it)
{
    Node *node;
    if (!it->od) return NULL;
    if (!it->key) goto end;
    if (it->od->state != it->state) {
        PyErr_SetString(PyExc_RuntimeError, "OrderedDict mutated during iteration");
        goto end;
    }
    if (it->size != it->od->dict.ma_used) {
        PyErr_SetString(PyExc_RuntimeError, "OrderedDict changed size during iteration");
        it->size = -1;
        goto end;
    }
    PyObject *key = it->key;
    int found = odict_find_node(it->od, key, &node);
    if (found <= 0) {
        if (found == 0) PyErr_SetObject(PyExc_KeyError, key);
        Py_CLEAR(it->key);
        goto end;
    }
    node = it->kind & ODICT_REVERSED ? node->previous : node->next;
    it->key = node ? Py_NewRef(node->key) : NULL;
    return key;
end:
    Py_CLEAR(it->od);
    return NULL;
}

static PyObject *odictiter_next(PyObject *o)
{
    OdictIterator *it = ITERATOR(o);
    PyObject *key = next_key(it), *value, *pair;
    if (!key || (it->kind & 3) == ODICT_KEYS) return key;
    if (!(value = odict_value_of(it->od, key))) {
        Py_DECREF(key);
        Py_CLEAR(it->od);
        return NULL;
    }
    if ((it->kind & 3) == ODICT_VALUES) {
        Py_DECREF(key);
        return value;
    }
    pair = it->result;
    if (Py_REFCNT(pair) == 1) {
        PyObject *old_key = PyTuple_GET_ITEM(pair, 0), *old_value = PyTuple_GET_ITEM(pair, 1);
        Py_INCREF(pair);
        PyTuple_SET_ITEM(pair, 0, key);
        PyTuple_SET_ITEM(pair, 1, value);
        if (!gc_is_tracked(pair)) gc_track(thread_get(), pair);
        Py_DECREF(old_key);
        Py_DECREF(old_value);
        return pair;
    }
    pair = PyTuple_Pack(2, key, value);
    Py_DECREF(key);
    Py_DECREF(value);
    return pair;
}

BUILTIN_NOARGS(odictiter, __reduce__, "($self, /)", "Return state information for pickling")
{
    OdictIterator *it = ITERATOR(self);
    PyObject *iter = builtin_get("iter");
    if (!iter) return NULL;
    if (!it->od) return reduced_to_list(iter, PyList_New(0));
    OdictIterator *copy = ITERATOR(odict_iterator_new(it->od, it->kind));
    if (copy) {                                            /* the copy runs to the end */
        copy->size = it->size;
        copy->state = it->state;
        SET_FIELD(copy->key, Py_XNewRef(it->key));
    }
    return reduced_to_list(iter, OBJECT(copy));
}

static PyMethodDef odictiter_methods[] = { METHOD(odictiter, __reduce__), { 0 } };

PyTypeObject PyODictIter_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "odict_iterator",
    .tp_basicsize = sizeof(OdictIterator),
    .tp_dealloc = odictiter_dealloc,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = odictiter_traverse,
    .tp_clear = odictiter_clear,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = odictiter_next,
    .tp_methods = odictiter_methods,
};

/* ---- views ------------------------------------------------------------------------------------------------------------------ */

/* Laid out as the views of dict; see dict_views.c. */
typedef struct OdictView {
    PyObject_HEAD
    PyODictObject *od;
} OdictView;

#define DEFINE_VIEW(variable, shown, base, name, kind)                                                                        \
    static PyObject *name##_iter(PyObject *o)                                                                                 \
    {                                                                                                                         \
        PyODictObject *od = ((OdictView *)o)->od;                                                                             \
        if (!od) Py_RETURN_NONE;                                                                                              \
        return odict_iterator_new(od, kind);                                                                                  \
    }                                                                                                                         \
    static PyObject *name##_reversed(PyObject *o, PyObject *Py_UNUSED(unused))                                                \
    {                                                                                                                         \
        PyODictObject *od = ((OdictView *)o)->od;                                                                             \
        if (!od) Py_RETURN_NONE;                                                                                              \
        return odict_iterator_new(od, (kind) | ODICT_REVERSED);                                                               \
    }                                                                                                                         \
    static PyMethodDef name##_methods[] = {                                                                                   \
        { "__reversed__", name##_reversed, METH_NOARGS, "__reversed__($self, /)\n--\n\nReturn a reverse iterator." }, { 0 },  \
    };                                                                                                                        \
    PyTypeObject variable = {                                                                                                 \
        PyVarObject_HEAD_INIT(&PyType_Type, 0)                                                                                \
        .tp_name = shown, .tp_basicsize = sizeof(OdictView), .tp_flags = Py_TPFLAGS_DEFAULT, .tp_iter = name##_iter,          \
        .tp_methods = name##_methods, .tp_base = &base,                                                                       \
    };
DEFINE_VIEW(PyODictKeys_Type, "odict_keys", PyDictKeys_Type, odictkeys, ODICT_KEYS)
DEFINE_VIEW(PyODictValues_Type, "odict_values", PyDictValues_Type, odictvalues, ODICT_VALUES)
DEFINE_VIEW(PyODictItems_Type, "odict_items", PyDictItems_Type, odictitems, ODICT_ITEMS)
