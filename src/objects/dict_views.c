/* Views of a dict (keys, values, items) with their set operations, and the six iterators.
 *
 * Iterators count entries by number; a table that grew or shrank meanwhile is told by ma_used and by the number of items left. */
#include "objects/dict_private.h"

typedef struct DictIterator {
    PyObject_HEAD
    PyDictObject *dict;                       /* NULL when exhausted */
    Py_ssize_t used;                          /* ma_used at the start; -1 after a complaint, to make it stick */
    Py_ssize_t at;                            /* number of the next entry */
    Py_ssize_t left;
    PyObject *result;                         /* pair to reuse for items, or NULL */
} DictIterator;

typedef struct DictView {
    PyObject_HEAD
    PyDictObject *dict;
} DictView;

/* ---- iterators ------------------------------------------------------------------------------------------------------- */

static bool type_yields_pairs(PyTypeObject *type) { return type == &PyDictIterItem_Type || type == &PyDictRevIterItem_Type; }
static bool type_is_reverse(PyTypeObject *type)
{
    return type == &PyDictRevIterKey_Type || type == &PyDictRevIterValue_Type || type == &PyDictRevIterItem_Type;
}

PyObject *dict_iterator_new(PyObject *o, PyTypeObject *type)
{
    PyDictObject *d = (PyDictObject *)o;
    Thread *t = thread_get();
    PyObject *result = NULL;
    if (type_yields_pairs(type) && !(result = PyTuple_Pack(2, Py_None, Py_None))) return NULL;
    DictIterator *it = (DictIterator *)gc_alloc(t, type, sizeof(DictIterator), 0);
    if (!it) {
        Py_XDECREF(result);
        return NULL;
    }
    it->dict = (PyDictObject *)Py_NewRef(o);
    it->used = it->left = d->ma_used;
    it->at = type_is_reverse(type) ? d->ma_keys->count - 1 : 0;
    it->result = result;
    gc_track(t, OBJECT(it));
    return OBJECT(it);
}

static void dictiter_dealloc(PyObject *o)
{
    DictIterator *it = (DictIterator *)o;
    Thread *t = thread_get();
    gc_untrack(t, o);
    Py_XDECREF(it->dict);
    Py_XDECREF(it->result);
    gc_free(t, o, 0);
}

static int dictiter_traverse(PyObject *o, visitproc visit, void *arg)
{
    DictIterator *it = (DictIterator *)o;
    Py_VISIT(it->dict);
    Py_VISIT(it->result);
    return 0;
}

static COLD PyObject *dictiter_complain(DictIterator *it, const char *text)
{
    PyErr_SetString(PyExc_RuntimeError, text);
    it->used = -1;
    return NULL;
}

static PyObject *dictiter_end(DictIterator *it)
{
    PyDictObject *d = it->dict;
    it->dict = NULL;
    Py_DECREF(d);
    return NULL;
}

/* The next entry; NULL at the end or with RuntimeError. */
static inline PyObject **dictiter_step(DictIterator *it, bool reverse)
{
    PyDictObject *d = it->dict;
    if (!d) return NULL;
    if (UNLIKELY(it->used != d->ma_used)) return (PyObject **)dictiter_complain(it, "dictionary changed size during iteration");
    DictKeys *k = d->ma_keys;
    Py_ssize_t i = it->at;
    PyObject **e = keys_entry(k, i);
    if (reverse) {
        if (it->left == 0 || i >= k->count) return (PyObject **)dictiter_end(it);
        for (; i >= 0 && !e[1]; i--) e -= k->stride;
        if (i < 0) return (PyObject **)dictiter_end(it);
        it->at = i - 1;
    }
    else {
        for (; i < k->count && !e[1]; i++) e += k->stride;
        if (i >= k->count) return (PyObject **)dictiter_end(it);
        if (UNLIKELY(it->left == 0)) return (PyObject **)dictiter_complain(it, "dictionary keys changed during iteration");
        it->at = i + 1;
    }
    it->left--;
    return e;
}

/* (key, value), in the tuple of last time when nobody else holds that. */
static PyObject *dictiter_pair(DictIterator *it, PyObject **e)
{
    PyObject *key = Py_NewRef(e[0]), *value = Py_NewRef(e[1]), *pair = it->result;
    if (Py_REFCNT(pair) == 1) {
        PyObject *old_key = PyTuple_GET_ITEM(pair, 0), *old_value = PyTuple_GET_ITEM(pair, 1);
        PyTuple_SET_ITEM(pair, 0, key);
        PyTuple_SET_ITEM(pair, 1, value);
        Py_INCREF(pair);
        pair_track(thread_get(), pair, key, value);
        Py_DECREF(old_key);
        Py_DECREF(old_value);
        return pair;
    }
    pair = PyTuple_New(2);
    if (!pair) {
        Py_DECREF(key);
        Py_DECREF(value);
        return NULL;
    }
    PyTuple_SET_ITEM(pair, 0, key);
    PyTuple_SET_ITEM(pair, 1, value);
    return pair;
}

#define DEFINE_NEXT(name, reverse, result)                                     \
    static PyObject *name(PyObject *o)                                         \
    {                                                                          \
        DictIterator *it = (DictIterator *)o;                                  \
        PyObject **e = dictiter_step(it, reverse);                             \
        return e ? result : NULL;                                              \
    }
DEFINE_NEXT(dictiter_next_key, false, Py_NewRef(e[0]))
DEFINE_NEXT(dictiter_next_value, false, Py_NewRef(e[1]))
DEFINE_NEXT(dictiter_next_item, false, dictiter_pair(it, e))
DEFINE_NEXT(dictiter_next_key_back, true, Py_NewRef(e[0]))
DEFINE_NEXT(dictiter_next_value_back, true, Py_NewRef(e[1]))
DEFINE_NEXT(dictiter_next_item_back, true, dictiter_pair(it, e))

BUILTIN_NOARGS(dictiter, __length_hint__, "($self, /)", "Private method returning an estimate of len(list(it)).")
{
    DictIterator *it = (DictIterator *)self;
    return PyLong_FromSsize_t(it->dict && it->used == it->dict->ma_used ? it->left : 0);
}

BUILTIN_NOARGS(dictiter, __reduce__, "($self, /)", "Return state information for pickling.")
{
    DictIterator *it = (DictIterator *)self;
    PyObject *iter = builtin_get("iter");
    if (!iter) return NULL;
    if (!it->dict) return reduced_to_list(iter, PyList_New(0));
    DictIterator *copy = (DictIterator *)dict_iterator_new(OBJECT(it->dict), Py_TYPE(self));
    if (copy) {                                            /* the copy runs to the end, the original stays where it is */
        copy->used = it->used;
        copy->at = it->at;
        copy->left = it->left;
    }
    return reduced_to_list(iter, OBJECT(copy));
}

static PyMethodDef dictiter_methods[] = { METHOD(dictiter, __length_hint__), METHOD(dictiter, __reduce__), { 0 } };

#define ITERATOR_TYPE(variable, shown, next)                                   \
    PyTypeObject variable = {                                                  \
        PyVarObject_HEAD_INIT(&PyType_Type, 0)                                 \
        .tp_name = shown,                                                      \
        .tp_basicsize = sizeof(DictIterator),                                  \
        .tp_dealloc = dictiter_dealloc,                                        \
        .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,                   \
        .tp_traverse = dictiter_traverse,                                      \
        .tp_iter = PyObject_SelfIter,                                          \
        .tp_iternext = next,                                                   \
        .tp_methods = dictiter_methods,                                        \
    }
ITERATOR_TYPE(PyDictIterKey_Type, "dict_keyiterator", dictiter_next_key);
ITERATOR_TYPE(PyDictIterValue_Type, "dict_valueiterator", dictiter_next_value);
ITERATOR_TYPE(PyDictIterItem_Type, "dict_itemiterator", dictiter_next_item);
ITERATOR_TYPE(PyDictRevIterKey_Type, "dict_reversekeyiterator", dictiter_next_key_back);
ITERATOR_TYPE(PyDictRevIterValue_Type, "dict_reversevalueiterator", dictiter_next_value_back);
ITERATOR_TYPE(PyDictRevIterItem_Type, "dict_reverseitemiterator", dictiter_next_item_back);

/* ---- views ----------------------------------------------------------------------------------------------------------- */

PyObject *dict_view_new(PyObject *d, PyTypeObject *kind)
{
    if (!d) {
        PyErr_BadInternalCall();
        return NULL;
    }
    if (!PyDict_Check(d)) {
        PyErr_Format(PyExc_TypeError, "%s() requires a dict argument, not '%s'", kind->tp_name, Py_TYPE(d)->tp_name);
        return NULL;
    }
    Thread *t = thread_get();
    DictView *view = (DictView *)gc_alloc(t, kind, sizeof(DictView), 0);
    if (!view) return NULL;
    view->dict = (PyDictObject *)Py_NewRef(d);
    gc_track(t, OBJECT(view));
    return OBJECT(view);
}

static void dictview_dealloc(PyObject *o)
{
    Thread *t = thread_get();
    gc_untrack(t, o);
    Py_XDECREF(((DictView *)o)->dict);
    gc_free(t, o, 0);
}

static int dictview_traverse(PyObject *o, visitproc visit, void *arg)
{
    Py_VISIT(((DictView *)o)->dict);
    return 0;
}

static Py_ssize_t dictview_len(PyObject *o)
{
    PyDictObject *d = ((DictView *)o)->dict;
    return d ? d->ma_used : 0;
}

static PyObject *dictview_mapping(PyObject *o, void *Py_UNUSED(closure)) { return PyDictProxy_New(OBJECT(((DictView *)o)->dict)); }

static PyGetSetDef dictview_getset[] = {
    { "mapping", dictview_mapping, NULL, "dictionary that this view refers to", NULL },
    { 0 },
};

static PyObject *dictview_repr(PyObject *o)
{
    int entered = Py_ReprEnter(o);
    if (entered) return entered > 0 ? PyUnicode_FromString("...") : NULL;
    PyObject *result = NULL, *list = PySequence_List(o);
    if (list) {
        result = PyUnicode_FromFormat("%s(%R)", Py_TYPE(o)->tp_name, list);
        Py_DECREF(list);
    }
    Py_ReprLeave(o);
    return result;
}

/* ---- set operations ---------------------------------------------------------------------------------------------------- */

/* Is every item of a in b? 1, 0, -1. */
static int all_in(PyObject *a, PyObject *b)
{
    PyObject *item, *it = PyObject_GetIter(a);
    int found = 1;
    if (!it) return -1;
    while (found > 0 && (item = PyIter_Next(it))) {
        found = PySequence_Contains(b, item);
        Py_DECREF(item);
    }
    Py_DECREF(it);
    return PyErr_Occurred() ? -1 : found;
}

static PyObject *dictview_richcompare(PyObject *self, PyObject *other, int op)
{
    if (!PyAnySet_Check(other) && !PyDictViewSet_Check(other)) Py_RETURN_NOTIMPLEMENTED;
    Py_ssize_t mine = PyObject_Size(self), others = mine < 0 ? -1 : PyObject_Size(other);
    if (others < 0) return NULL;
    int result = 0;
    switch (op) {
    case Py_NE:
    case Py_EQ:
        if (mine == others) result = all_in(self, other);
        if (op == Py_NE && result >= 0) result = !result;
        break;
    case Py_LT: if (mine < others) result = all_in(self, other); break;
    case Py_LE: if (mine <= others) result = all_in(self, other); break;
    case Py_GT: if (mine > others) result = all_in(other, self); break;
    case Py_GE: if (mine >= others) result = all_in(other, self); break;
    }
    return result < 0 ? NULL : PyBool_FromLong(result);
}

static PyObject *call_method(PyObject *self, const char *name, PyObject *arg)
{
    PyObject *method = PyObject_GetAttrString(self, name);
    if (!method) return NULL;
    PyObject *result = PyObject_CallOneArg(method, arg);
    Py_DECREF(method);
    return result;
}

static PyObject *view_to_set(PyObject *self)
{
    PyObject *source = self;
    if (PyDictKeys_Check(self) && PyDict_CheckExact(((DictView *)self)->dict)) source = OBJECT(((DictView *)self)->dict);
    return PySet_New(source);
}

/* set(self) changed by a method of set. */
static PyObject *view_operate(PyObject *self, PyObject *other, const char *method)
{
    PyObject *result = view_to_set(self);
    if (!result) return NULL;
    PyObject *none = call_method(result, method, other);
    if (!none) Py_CLEAR(result);
    Py_XDECREF(none);
    return result;
}

static PyObject *dictview_sub(PyObject *self, PyObject *other) { return view_operate(self, other, "difference_update"); }
static PyObject *dictview_or(PyObject *self, PyObject *other) { return view_operate(self, other, "update"); }

static PyObject *dictview_and(PyObject *self, PyObject *other)
{
    if (!PyDictViewSet_Check(self)) {                      /* the view is the right operand */
        PyObject *swap = self;
        self = other;
        other = swap;
    }
    Py_ssize_t mine = dictview_len(self);
    if (PySet_CheckExact(other) && PySet_GET_SIZE(other) >= mine) return call_method(other, "intersection", self);
    if (PyDictViewSet_Check(other) && dictview_len(other) > mine) {
        PyObject *swap = self;
        self = other;
        other = swap;
    }
    PyObject *item, *it = NULL, *result = PySet_New(NULL);
    if (!result || !(it = PyObject_GetIter(other))) goto fail;
    while ((item = PyIter_Next(it))) {
        int found = PySequence_Contains(self, item);
        if (found > 0 && PySet_Add(result, item) < 0) found = -1;
        Py_DECREF(item);
        if (found < 0) goto fail;
    }
    if (PyErr_Occurred()) goto fail;
    Py_DECREF(it);
    return result;
fail:
    Py_XDECREF(it);
    Py_XDECREF(result);
    return NULL;
}

static int dictitems_contains(PyObject *o, PyObject *pair);

/* Adds the items of a that b lacks. */
static int add_missing(PyObject *result, PyObject *a, PyObject *b)
{
    PyObject *item, *it = PyObject_GetIter(a);
    int status = it ? 0 : -1;
    while (status >= 0 && (item = PyIter_Next(it))) {
        status = dictitems_contains(b, item);
        if (status == 0) status = PySet_Add(result, item);
        Py_DECREF(item);
    }
    Py_XDECREF(it);
    return PyErr_Occurred() ? -1 : 0;
}

static PyObject *dictview_xor(PyObject *self, PyObject *other)
{
    if (!PyDictItems_Check(self) || !PyDictItems_Check(other)) return view_operate(self, other, "symmetric_difference_update");
    PyObject *result = PySet_New(NULL);                    /* pairs that both have may hold unhashable values */
    if (result && (add_missing(result, self, other) < 0 || add_missing(result, other, self) < 0)) Py_CLEAR(result);
    return result;
}

BUILTIN_O(dictview, isdisjoint, "($self, object, /)", "Return True if the view and the given iterable have a null intersection.")
{
    if (arg == self) return PyBool_FromLong(dictview_len(self) == 0);
    if ((PyAnySet_CheckExact(arg) || PyDictViewSet_Check(arg))) {
        Py_ssize_t mine = dictview_len(self), others = PyObject_Size(arg);
        if (others < 0) return NULL;
        if (others > mine) {
            PyObject *swap = arg;
            arg = self;
            self = swap;
        }
    }
    PyObject *item, *it = PyObject_GetIter(arg);
    if (!it) return NULL;
    int found = 0;
    while (!found && (item = PyIter_Next(it))) {
        found = PySequence_Contains(self, item);
        Py_DECREF(item);
    }
    Py_DECREF(it);
    if (found < 0 || PyErr_Occurred()) return NULL;
    return PyBool_FromLong(!found);
}

static int dictkeys_contains(PyObject *o, PyObject *key)
{
    PyDictObject *d = ((DictView *)o)->dict;
    return d ? PyDict_Contains(OBJECT(d), key) : 0;
}

static int dictitems_contains(PyObject *o, PyObject *pair)
{
    PyDictObject *d = ((DictView *)o)->dict;
    PyObject *found;
    if (!d || !PyTuple_Check(pair) || PyTuple_GET_SIZE(pair) != 2) return 0;
    int status = PyDict_GetItemRef(OBJECT(d), PyTuple_GET_ITEM(pair, 0), &found);
    if (status <= 0) return status;
    status = PyObject_RichCompareBool(found, PyTuple_GET_ITEM(pair, 1), Py_EQ);
    Py_DECREF(found);
    return status;
}

static PyObject *view_iterate(PyObject *o, PyTypeObject *type)
{
    PyDictObject *d = ((DictView *)o)->dict;
    if (!d) Py_RETURN_NONE;
    return dict_iterator_new(OBJECT(d), type);
}

#define DEFINE_ITERATION(kind, Kind)                                                                                      \
    static PyObject *kind##_iter(PyObject *o) { return view_iterate(o, &PyDictIter##Kind##_Type); }                       \
    static PyObject *kind##_reversed(PyObject *o, PyObject *Py_UNUSED(unused)) { return view_iterate(o, &PyDictRevIter##Kind##_Type); }
DEFINE_ITERATION(dictkeys, Key)
DEFINE_ITERATION(dictvalues, Value)
DEFINE_ITERATION(dictitems, Item)

#define REVERSED_METHOD(function) { "__reversed__", function, METH_NOARGS, \
                                    "__reversed__($self, /)\n--\n\nReturn a reverse iterator over the view." }
static PyMethodDef dictkeys_methods[] = { METHOD(dictview, isdisjoint), REVERSED_METHOD(dictkeys_reversed), { 0 } };
static PyMethodDef dictitems_methods[] = { METHOD(dictview, isdisjoint), REVERSED_METHOD(dictitems_reversed), { 0 } };
static PyMethodDef dictvalues_methods[] = { REVERSED_METHOD(dictvalues_reversed), { 0 } };

static PyNumberMethods dictview_as_number = {
    .nb_subtract = dictview_sub, .nb_and = dictview_and, .nb_xor = dictview_xor, .nb_or = dictview_or,
};
static PySequenceMethods dictkeys_as_sequence = { .sq_length = dictview_len, .sq_contains = dictkeys_contains };
static PySequenceMethods dictitems_as_sequence = { .sq_length = dictview_len, .sq_contains = dictitems_contains };
static PySequenceMethods dictvalues_as_sequence = { .sq_length = dictview_len };

#define VIEW_TYPE(variable, shown, kind, number, compare)                      \
    PyTypeObject variable = {                                                  \
        PyVarObject_HEAD_INIT(&PyType_Type, 0)                                 \
        .tp_name = shown,                                                      \
        .tp_basicsize = sizeof(DictView),                                      \
        .tp_dealloc = dictview_dealloc,                                        \
        .tp_repr = dictview_repr,                                              \
        .tp_as_number = number,                                                \
        .tp_as_sequence = &kind##_as_sequence,                                 \
        .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,                   \
        .tp_traverse = dictview_traverse,                                      \
        .tp_richcompare = compare,                                             \
        .tp_iter = kind##_iter,                                                \
        .tp_methods = kind##_methods,                                          \
        .tp_getset = dictview_getset,                                          \
    }
VIEW_TYPE(PyDictKeys_Type, "dict_keys", dictkeys, &dictview_as_number, dictview_richcompare);
VIEW_TYPE(PyDictItems_Type, "dict_items", dictitems, &dictview_as_number, dictview_richcompare);
VIEW_TYPE(PyDictValues_Type, "dict_values", dictvalues, NULL, NULL);
