/* collections.OrderedDict: a dict with a doubly linked list of its keys, so that both ends can be taken and any key moved in
 * constant time. Views and iterators are in odict_views.c.
 *
 *   dict entry number i  ->  map[i]  ->  Node <-> Node <-> Node     (the list is the order; the dict's own order means nothing)
 *
 * Invariants: while nobody changes the dict behind our back every key has one node. map is right as long as the dict's version tag is
 * the one remembered; otherwise it is built anew (somebody called dict.__setitem__ and the like, or the table was rebuilt). Keys that
 * such calls removed stay in the list and are reported as KeyError when met. state changes with every change of the list. */
#include "objects/odict_private.h"

#include "runtime/errors.h"

/* ---- nodes ---------------------------------------------------------------------------------------------------------------------- */

/* Builds the map from entries to nodes. Comparisons may run code that changes od: then it starts again. */
static int map_build(PyODictObject *od)
{
again:;
    PyDictObject *d = &od->dict;
    Py_ssize_t capacity = keys_capacity(d->ma_keys) + 1;
    size_t state = od->state;
    Node **map = PyMem_Calloc((size_t)capacity, sizeof(Node *));
    if (!map) {
        PyErr_NoMemory();
        return -1;
    }
    DictKeys *keys = d->ma_keys;
    for (Node *node = od->first; node; node = node->next) {
        PyObject *value;
        Py_ssize_t i = dict_find(d, node->key, node->hash, &value);
        if (i == DICT_ERROR) {
            PyMem_Free(map);
            return -1;
        }
        if (od->state != state || d->ma_keys != keys) {
            PyMem_Free(map);
            goto again;
        }
        if (i >= 0) map[i] = node;
    }
    PyMem_Free(od->map);
    od->map = map;
    od->map_size = capacity;
    od->tag = *dict_tag(d);
    return 0;
}

static inline void map_remember(PyODictObject *od) { od->tag = *dict_tag(&od->dict); }

/* The node of key: 1, 0 absent, -1. */
static int find_node(PyODictObject *od, PyObject *key, Py_hash_t hash, Node **node)
{
    PyObject *value;
    *node = NULL;
    if (!od->first) return 0;
    Py_ssize_t i = dict_find(&od->dict, key, hash, &value);
    if (i < 0) return i == DICT_ERROR ? -1 : 0;
    if (od->tag != *dict_tag(&od->dict) || i >= od->map_size) {
        if (map_build(od) < 0) return -1;
        i = dict_find(&od->dict, key, hash, &value);
        if (i < 0 || i >= od->map_size) return i == DICT_ERROR ? -1 : 0;
    }
    *node = od->map[i];
    return *node != NULL;
}

int odict_find_node(PyODictObject *od, PyObject *key, Node **node)
{
    Py_hash_t hash = key_hash(key);
    if (hash == -1) {
        *node = NULL;
        return -1;
    }
    return find_node(od, key, hash, node);
}

static void link_last(PyODictObject *od, Node *node)
{
    node->previous = od->last;
    node->next = NULL;
    if (od->last) od->last->next = node;
    else od->first = node;
    od->last = node;
    od->state++;
}

static void link_first(PyODictObject *od, Node *node)
{
    node->previous = NULL;
    node->next = od->first;
    if (od->first) od->first->previous = node;
    else od->last = node;
    od->first = node;
    od->state++;
}

static void unlink_node(PyODictObject *od, Node *node)
{
    if (od->first == node) od->first = node->next;
    else node->previous->next = node->next;
    if (od->last == node) od->last = node->previous;
    else node->next->previous = node->previous;
    node->previous = node->next = NULL;
    od->state++;
}

static void node_free(Node *node)
{
    PyObject *key = node->key;
    PyMem_Free(node);
    Py_DECREF(key);
}

static void clear_nodes(PyODictObject *od)
{
    Node *node = od->first;
    PyMem_Free(od->map);
    od->map = NULL;
    od->map_size = 0;
    od->tag = 0;
    od->first = od->last = NULL;
    od->state++;
    while (node) {
        Node *next = node->next;
        node_free(node);
        node = next;
    }
}

/* ---- items ---------------------------------------------------------------------------------------------------------------------------- */

static int set_item(PyODictObject *od, PyObject *key, Py_hash_t hash, PyObject *value)
{
    PyDictObject *d = &od->dict;
    PyObject *old;
    Py_ssize_t i = dict_find(d, key, hash, &old);
    if (i == DICT_ERROR) return -1;
    bool in_step = od->tag == *dict_tag(d);
    if (i >= 0 && in_step) {
        /* Only the value changes; the release of the old one may run code, after which the tag tells. */
        Py_INCREF(old);
        dict_set_value_at_any(d, i, key, value);
        map_remember(od);
        Py_DECREF(old);
        return 0;
    }
    if (i >= 0) {
        Node *node;
        int found = find_node(od, key, hash, &node);
        if (found < 0) return -1;
        if (found) return dict_set_known_hash(d, key, hash, value);
    }
    Node *node = PyMem_Malloc(sizeof(Node));
    if (!node) {
        PyErr_NoMemory();
        return -1;
    }
    node->key = Py_NewRef(key);
    node->hash = hash;
    DictKeys *keys = d->ma_keys;
    if (dict_set_known_hash(d, key, hash, value) < 0) {
        node_free(node);
        return -1;
    }
    link_last(od, node);
    if (in_step && keys == d->ma_keys && d->ma_keys->count <= od->map_size) {
        od->map[d->ma_keys->count - 1] = node;             /* it was appended */
        map_remember(od);
    }
    else od->tag = 0;                                      /* built when needed */
    return 0;
}

int PyODict_SetItem(PyObject *od, PyObject *key, PyObject *value)
{
    Py_hash_t hash = key_hash(key);
    return hash == -1 ? -1 : set_item((PyODictObject *)od, key, hash, value);
}

/* Takes key out of list and dict: 1 and *value new, 0 absent, -1. */
static int pop_item(PyODictObject *od, PyObject *key, Py_hash_t hash, PyObject **value)
{
    Node *node;
    *value = NULL;
    int found = find_node(od, key, hash, &node);
    if (found < 0) return -1;
    if (found) {
        PyObject *found_value;
        Py_ssize_t i = dict_find(&od->dict, key, hash, &found_value);
        if (i == DICT_ERROR) return -1;
        if (i >= 0 && i < od->map_size && od->map[i] == node) {
            PyObject *old_key;
            Thread *t = thread_get();
            bool in_step = od->tag == *dict_tag(&od->dict);
            unlink_node(od, node);
            od->map[i] = NULL;
            dict_notify(t, PyDict_EVENT_DELETED, &od->dict, key, NULL);
            dict_take_entry(t, &od->dict, i, &old_key, value);
            if (in_step) map_remember(od);
            node_free(node);
            Py_DECREF(old_key);
            return 1;
        }
    }
    return PyDict_Pop(OBJECT(od), key, value);
}

int PyODict_DelItem(PyObject *od, PyObject *key)
{
    PyObject *value;
    Py_hash_t hash = key_hash(key);
    if (hash == -1) return -1;
    int found = pop_item((PyODictObject *)od, key, hash, &value);
    Py_XDECREF(value);
    if (found == 0) errors_set_key_error(key);
    return found > 0 ? 0 : -1;
}

static int odict_ass_sub(PyObject *self, PyObject *key, PyObject *value)
{
    return value ? PyODict_SetItem(self, key, value) : PyODict_DelItem(self, key);
}

/* The value of a node's key as the dict has it: new reference, or NULL with KeyError. */
PyObject *odict_value_of(PyODictObject *od, PyObject *key)
{
    PyObject *value = PyDict_GetItemWithError(OBJECT(od), key);
    if (value) return Py_NewRef(value);
    if (!PyErr_Occurred()) errors_set_key_error(key);
    return NULL;
}

/* ---- update as MutableMapping does it ---------------------------------------------------------------------------------------------------- */

static int add_pair(PyObject *self, PyObject *pair)
{
    PyObject *it = PyObject_GetIter(pair), *key = NULL, *value = NULL, *more = NULL;
    int status = -1;
    if (!it) return -1;
    if (!(key = PyIter_Next(it))) {
        if (!PyErr_Occurred()) PyErr_SetString(PyExc_ValueError, "need more than 0 values to unpack");
        goto done;
    }
    if (!(value = PyIter_Next(it))) {
        if (!PyErr_Occurred()) PyErr_SetString(PyExc_ValueError, "need more than 1 value to unpack");
        goto done;
    }
    if ((more = PyIter_Next(it))) {
        PyErr_SetString(PyExc_ValueError, "too many values to unpack (expected 2)");
        goto done;
    }
    if (PyErr_Occurred()) goto done;
    status = PyObject_SetItem(self, key, value);
done:
    Py_DECREF(it);
    Py_XDECREF(key);
    Py_XDECREF(value);
    Py_XDECREF(more);
    return status;
}

static int add_pairs(PyObject *self, PyObject *pairs)
{
    PyObject *pair, *it = PyObject_GetIter(pairs);
    if (!it) return -1;
    while ((pair = PyIter_Next(it))) {
        int status = add_pair(self, pair);
        Py_DECREF(pair);
        if (status < 0) break;
    }
    Py_DECREF(it);
    return PyErr_Occurred() ? -1 : 0;
}

static int add_by_keys(PyObject *self, PyObject *arg, PyObject *keys)
{
    PyObject *key, *it = PyObject_GetIter(keys);
    if (!it) return -1;
    while ((key = PyIter_Next(it))) {
        PyObject *value = PyObject_GetItem(arg, key);
        int status = value ? PyObject_SetItem(self, key, value) : -1;
        Py_XDECREF(value);
        Py_DECREF(key);
        if (status < 0) break;
    }
    Py_DECREF(it);
    return PyErr_Occurred() ? -1 : 0;
}

static int update_from(PyObject *self, PyObject *arg)
{
    PyObject *method, *result;
    int status;
    if (PyDict_CheckExact(arg)) {
        PyObject *items = PyDict_Items(arg);
        status = items ? add_pairs(self, items) : -1;
        Py_XDECREF(items);
        return status;
    }
    for (int by_keys = 1; by_keys >= 0; by_keys--) {
        if (PyObject_GetOptionalAttr(arg, by_keys ? STR(keys) : STR(items), &method) < 0) return -1;
        if (!method) continue;
        result = PyObject_CallNoArgs(method);
        Py_DECREF(method);
        if (!result) return -1;
        status = by_keys ? add_by_keys(self, arg, result) : add_pairs(self, result);
        Py_DECREF(result);
        return status;
    }
    return add_pairs(self, arg);
}

static int update_common(PyObject *self, PyObject *args, PyObject *kwargs)
{
    Py_ssize_t n = PyTuple_GET_SIZE(args);
    if (n > 1) {
        PyErr_Format(PyExc_TypeError, "update() takes at most 1 positional argument (%zd given)", n);
        return -1;
    }
    if (n == 1 && update_from(self, PyTuple_GET_ITEM(args, 0)) < 0) return -1;
    if (!kwargs) return 0;
    PyObject *items = PyDict_Items(kwargs);
    int status = items ? add_pairs(self, items) : -1;
    Py_XDECREF(items);
    return status;
}

/* ---- methods ------------------------------------------------------------------------------------------------------------------------------ */

PyObject *PyODict_New(void) { return PyODict_Type.tp_new(&PyODict_Type, EMPTY_TUPLE, NULL); }

BUILTIN(odict, fromkeys, KEYWORDS, "($type, /, iterable, value=None)", "Make an ordered dict whose keys are the items, all with one value.")
{
    PyObject *value = arg[1] ? arg[1] : Py_None, *key, *it = NULL, *od = PyObject_CallNoArgs(self);
    if (!od || !(it = PyObject_GetIter(arg[0]))) goto fail;
    while ((key = PyIter_Next(it))) {
        int status = PyODict_CheckExact(od) ? PyODict_SetItem(od, key, value) : PyObject_SetItem(od, key, value);
        Py_DECREF(key);
        if (status < 0) goto fail;
    }
    if (PyErr_Occurred()) goto fail;
    Py_DECREF(it);
    return od;
fail:
    Py_XDECREF(it);
    Py_XDECREF(od);
    return NULL;
}

BUILTIN_NOARGS(odict, __sizeof__, "($self, /)", "Size in memory, in bytes.")
{
    PyODictObject *od = (PyODictObject *)self;
    size_t size = (size_t)Py_TYPE(self)->tp_basicsize + dict_storage_size(&od->dict) + (size_t)od->map_size * sizeof(Node *);
    for (Node *node = od->first; node; node = node->next) size += sizeof(Node);
    return PyLong_FromSize_t(size);
}

BUILTIN_NOARGS(odict, __reduce__, "($self, /)", "Return state information for pickling")
{
    PyObject *state = PyObject_CallMethodNoArgs(self, STR(__getstate__)), *items, *it = NULL, *result = NULL;
    if (!state) return NULL;
    if ((items = PyObject_CallMethodNoArgs(self, STR(items)))) {
        it = PyObject_GetIter(items);
        Py_DECREF(items);
    }
    if (it) result = PyTuple_Pack(5, Py_TYPE(self), EMPTY_TUPLE, state, Py_None, it);
    Py_XDECREF(it);
    Py_DECREF(state);
    return result;
}

BUILTIN(odict, setdefault, KEYWORDS, "($self, /, key, default=None)",
        "Insert key with a value of default if key is not in the dictionary.\n\nReturn the value for key then.")
{
    PyObject *key = arg[0], *fallback = arg[1] ? arg[1] : Py_None;
    if (PyODict_CheckExact(self)) {
        PyObject *value = PyDict_GetItemWithError(self, key);
        if (value) return Py_NewRef(value);
        if (PyErr_Occurred() || PyODict_SetItem(self, key, fallback) < 0) return NULL;
        return Py_NewRef(fallback);
    }
    int found = PySequence_Contains(self, key);
    if (found < 0) return NULL;
    if (found) return PyObject_GetItem(self, key);
    return PyObject_SetItem(self, key, fallback) < 0 ? NULL : Py_NewRef(fallback);
}

BUILTIN(odict, pop, KEYWORDS, "($self, /, key, default=<unrepresentable>)",
        "od.pop(key[,default]) -> v, remove specified key and return the corresponding value.\n\nAn absent key gives default, or KeyError.")
{
    PyObject *value;
    Py_hash_t hash = key_hash(arg[0]);
    if (hash == -1) return NULL;
    int found = pop_item((PyODictObject *)self, arg[0], hash, &value);
    if (found) return value;
    if (arg[1]) return Py_NewRef(arg[1]);
    errors_set_key_error(arg[0]);
    return NULL;
}

static int is_last(PyObject *arg) { return arg ? PyObject_IsTrue(arg) : 1; }

BUILTIN(odict, popitem, KEYWORDS, "($self, /, last=True)",
        "Remove and return a (key, value) pair from the dictionary.\n\nThe one added last if last is true, else the one added first.")
{
    PyODictObject *od = (PyODictObject *)self;
    int last = is_last(arg[0]);
    if (last < 0) return NULL;
    Node *node = last ? od->last : od->first;
    if (!node) {
        PyErr_SetString(PyExc_KeyError, "dictionary is empty");
        return NULL;
    }
    PyObject *key = Py_NewRef(node->key), *value, *pair = NULL;
    int found = pop_item(od, key, node->hash, &value);
    if (found == 0) errors_set_key_error(key);
    if (found > 0) {
        pair = PyTuple_Pack(2, key, value);
        Py_DECREF(value);
    }
    Py_DECREF(key);
    return pair;
}

BUILTIN(odict, move_to_end, KEYWORDS, "($self, /, key, last=True)",
        "Move an existing element to the end (or beginning if last is false).\n\nRaise KeyError if the element does not exist.")
{
    PyODictObject *od = (PyODictObject *)self;
    Node *node;
    int last = is_last(arg[1]);
    if (last < 0) return NULL;
    int found = odict_find_node(od, arg[0], &node);
    if (found == 0) errors_set_key_error(arg[0]);
    if (found <= 0) return NULL;
    if (node == (last ? od->last : od->first)) Py_RETURN_NONE;
    unlink_node(od, node);
    if (last) link_last(od, node);
    else link_first(od, node);
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(odict, clear, "($self, /)", "od.clear() -> None.  Remove all items from od.")
{
    PyDict_Clear(self);
    clear_nodes((PyODictObject *)self);
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(odict, copy, "($self, /)", "od.copy() -> a shallow copy of od")
{
    PyODictObject *od = (PyODictObject *)self;
    bool exact = PyODict_CheckExact(self);
    PyObject *copy = exact ? PyODict_New() : PyObject_CallNoArgs(OBJECT(Py_TYPE(self)));
    if (!copy) return NULL;
    for (Node *node = od->first; node;) {
        size_t state = od->state;
        PyObject *key = Py_NewRef(node->key), *value = exact ? odict_value_of(od, key) : PyObject_GetItem(self, key);
        int status = !value ? -1 : exact ? PyODict_SetItem(copy, key, value) : PyObject_SetItem(copy, key, value);
        Py_XDECREF(value);
        Py_DECREF(key);
        if (status == 0 && od->state != state) {
            PyErr_SetString(PyExc_RuntimeError, "OrderedDict mutated during iteration");
            status = -1;
        }
        if (status < 0) {
            Py_DECREF(copy);
            return NULL;
        }
        node = node->next;
    }
    return copy;
}

BUILTIN_NOARGS(odict, keys, "($self, /)", "A view of the keys, in order.") { return dict_view_new(self, &PyODictKeys_Type); }
BUILTIN_NOARGS(odict, values, "($self, /)", "A view of the values, in order.") { return dict_view_new(self, &PyODictValues_Type); }
BUILTIN_NOARGS(odict, items, "($self, /)", "A view of the pairs, in order.") { return dict_view_new(self, &PyODictItems_Type); }
BUILTIN_NOARGS(odict, __reversed__, "($self, /)", "od.__reversed__() <==> reversed(od)")
{
    return odict_iterator_new((PyODictObject *)self, ODICT_KEYS | ODICT_REVERSED);
}

static PyObject *odict_update(PyObject *self, PyObject *args, PyObject *kwargs)
{
    if (update_common(self, args, kwargs) < 0) return NULL;
    Py_RETURN_NONE;
}

static PyMethodDef odict_methods[] = {
    METHOD_CLASS(odict, fromkeys), METHOD(odict, __sizeof__), METHOD(odict, __reduce__), METHOD(odict, setdefault), METHOD(odict, pop),
    METHOD(odict, popitem), METHOD(odict, keys), METHOD(odict, values), METHOD(odict, items),
    { "update", (PyCFunction)(void (*)(void))odict_update, METH_VARARGS | METH_KEYWORDS,
      "od.update(E, **F) -> None.  Update od from dict/iterable E and F." },
    METHOD(odict, clear), METHOD(odict, copy), METHOD(odict, __reversed__), METHOD(odict, move_to_end), { 0 },
};

/* ---- slots ------------------------------------------------------------------------------------------------------------------------------- */

static int odict_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    Py_ssize_t n = PyTuple_GET_SIZE(args);
    if (n > 1) {
        PyErr_Format(PyExc_TypeError, "expected at most 1 arguments, got %zd", n);
        return -1;
    }
    return update_common(self, args, kwargs);
}

static void odict_dealloc(PyObject *self)
{
    PyODictObject *od = (PyODictObject *)self;
    PyObject_GC_UnTrack(self);
    Py_CLEAR(od->inst_dict);
    if (od->weakreflist) PyObject_ClearWeakRefs(self);
    clear_nodes(od);
    PyDict_Type.tp_dealloc(self);
}

static int odict_traverse(PyObject *self, visitproc visit, void *arg)
{
    PyODictObject *od = (PyODictObject *)self;
    Py_VISIT(od->inst_dict);
    for (Node *node = od->first; node; node = node->next) Py_VISIT(node->key);
    return PyDict_Type.tp_traverse(self, visit, arg);
}

static int odict_tp_clear(PyObject *self)
{
    PyODictObject *od = (PyODictObject *)self;
    Py_CLEAR(od->inst_dict);
    PyDict_Clear(self);
    clear_nodes(od);
    return 0;
}

static PyObject *odict_repr(PyObject *self)
{
    const char *dot = strrchr(Py_TYPE(self)->tp_name, '.'), *name = dot ? dot + 1 : Py_TYPE(self)->tp_name;
    if (PyDict_GET_SIZE(self) == 0) return PyUnicode_FromFormat("%s()", name);
    int entered = Py_ReprEnter(self);
    if (entered) return entered > 0 ? PyUnicode_FromString("...") : NULL;
    PyObject *result = NULL, *copy = PyDict_New();
    if (copy && PyDict_Update(copy, self) == 0) result = PyUnicode_FromFormat("%s(%R)", name, copy);
    Py_XDECREF(copy);
    Py_ReprLeave(self);
    return result;
}

/* The same keys in the same order? */
static int same_order(PyODictObject *a, PyODictObject *b)
{
    size_t state_a = a->state, state_b = b->state;
    Node *x = a->first, *y = b->first;
    for (; x && y; x = x->next, y = y->next) {
        int same = object_equal(x->key, y->key);
        if (same <= 0) return same;
        if (a->state != state_a || b->state != state_b) {
            PyErr_SetString(PyExc_RuntimeError, "OrderedDict mutated during iteration");
            return -1;
        }
    }
    return !x && !y;
}

static PyObject *odict_richcompare(PyObject *a, PyObject *b, int op)
{
    if (!PyODict_Check(a) || !PyDict_Check(b) || (op != Py_EQ && op != Py_NE)) Py_RETURN_NOTIMPLEMENTED;
    PyObject *equal = PyDict_Type.tp_richcompare(a, b, Py_EQ);
    if (!equal) return NULL;
    int same = PyObject_IsTrue(equal);
    Py_DECREF(equal);
    if (same > 0 && PyODict_Check(b)) same = same_order((PyODictObject *)a, (PyODictObject *)b);
    return same < 0 ? NULL : PyBool_FromLong(same == (op == Py_EQ));
}

static PyObject *odict_iter(PyObject *self) { return odict_iterator_new((PyODictObject *)self, ODICT_KEYS); }

static PyObject *odict_or(PyObject *left, PyObject *right)
{
    bool left_is_ours = PyODict_Check(left);
    PyTypeObject *type = Py_TYPE(left_is_ours ? left : right);
    if (!PyDict_Check(left_is_ours ? right : left)) Py_RETURN_NOTIMPLEMENTED;
    PyObject *result = PyObject_CallOneArg(OBJECT(type), left);
    if (result && update_from(result, right) < 0) Py_CLEAR(result);
    return result;
}

static PyObject *odict_ior(PyObject *self, PyObject *other) { return update_from(self, other) < 0 ? NULL : Py_NewRef(self); }

static PyNumberMethods odict_as_number = { .nb_or = odict_or, .nb_inplace_or = odict_ior };
static PyMappingMethods odict_as_mapping = { .mp_ass_subscript = odict_ass_sub };

static PyGetSetDef odict_getset[] = { { "__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, NULL, NULL }, { 0 } };

PyTypeObject PyODict_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "collections.OrderedDict",
    .tp_basicsize = sizeof(PyODictObject),
    .tp_dealloc = odict_dealloc,
    .tp_repr = odict_repr,
    .tp_as_number = &odict_as_number,
    .tp_as_mapping = &odict_as_mapping,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .tp_doc = "Dictionary that remembers insertion order",
    .tp_traverse = odict_traverse,
    .tp_clear = odict_tp_clear,
    .tp_richcompare = odict_richcompare,
    .tp_weaklistoffset = offsetof(PyODictObject, weakreflist),
    .tp_iter = odict_iter,
    .tp_methods = odict_methods,
    .tp_getset = odict_getset,
    .tp_base = &PyDict_Type,
    .tp_dictoffset = offsetof(PyODictObject, inst_dict),
    .tp_init = odict_init,
    .tp_alloc = PyType_GenericAlloc,
};
