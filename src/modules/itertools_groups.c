/* itertools: groupby and tee.
 *
 * tee: the items read so far stand in a chain of blocks (_tee_dataobject) that all the iterators over one source share; a block goes
 * when the last iterator has left it. */
#include "modules/itertools.h"


/* ---- groupby --------------------------------------------------------------------------------------------------------------------- */

typedef struct GroupBy {
    PyObject_HEAD
    PyObject *it, *keyfunc;
    PyObject *target;                         /* key of the group given out last */
    PyObject *key, *value;                    /* the item read last; NULL when taken */
    const void *grouper;                      /* borrowed: the only one that may read on */
    void *unused;
} GroupBy;

typedef struct Grouper {
    PyObject_HEAD
    PyObject *parent, *target;
} Grouper;

#define GROUPBY(o) ((GroupBy *)(o))
#define GROUPER(o) ((Grouper *)(o))
DEFINE_LIFE(groupby, GroupBy, 5, (void)0, it, keyfunc, target, key, value)
DEFINE_LIFE(_grouper, Grouper, 2, (void)0, parent, target)
SIGNATURE(groupby_signature, "groupby", KEYWORDS, "(iterable, key=None)");

static PyObject *groupby_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *arg[2];
    if (args_bind_tuple(&groupby_signature, args, kwargs, arg) < 0) return NULL;
    PyObject *it = PyObject_GetIter(arg[0]);
    GroupBy *self = it ? GROUPBY(type->tp_alloc(type, 0)) : NULL;
    if (!self) {
        Py_XDECREF(it);
        return NULL;
    }
    self->it = it;
    self->keyfunc = Py_NewRef(arg[1] ? arg[1] : Py_None);
    return (PyObject *)self;
}

/* Reads one item and its key. */
static int groupby_step(GroupBy *self)
{
    PyObject *value = PyIter_Next(self->it), *key;
    if (!value) return -1;
    key = self->keyfunc == Py_None ? Py_NewRef(value) : PyObject_CallOneArg(self->keyfunc, value);
    if (!key) {
        Py_DECREF(value);
        return -1;
    }
    SET_FIELD(self->value, value);
    SET_FIELD(self->key, key);
    return 0;
}

static int same_key(PyObject *a, PyObject *b)
{
    Py_INCREF(a);
    Py_INCREF(b);
    int same = PyObject_RichCompareBool(a, b, Py_EQ);
    Py_DECREF(a);
    Py_DECREF(b);
    return same;
}

static PyObject *grouper_make(PyTypeObject *type, PyObject *parent, PyObject *target)
{
    Grouper *self = PyObject_GC_New(Grouper, type);
    if (!self) return NULL;
    self->parent = Py_NewRef(parent);
    self->target = Py_NewRef(target);
    GROUPBY(parent)->grouper = self;
    PyObject_GC_Track(self);
    return (PyObject *)self;
}

static PyObject *groupby_next(PyObject *o)
{
    GroupBy *self = GROUPBY(o);
    ItertoolsState *state = itertools_state_of(Py_TYPE(o));
    if (!state) return NULL;
    self->grouper = NULL;
    for (;;) {                                             /* past what is left of the last group */
        if (self->key) {
            if (!self->target) break;
            int same = same_key(self->target, self->key);
            if (same < 0) return NULL;
            if (!same) break;
        }
        if (groupby_step(self) < 0) return NULL;
    }
    if (!self->key) return NULL;
    SET_FIELD(self->target, Py_NewRef(self->key));
    PyObject *grouper = grouper_make(state->_grouper, o, self->target), *result;
    if (!grouper) return NULL;
    result = PyTuple_Pack(2, self->target, grouper);
    Py_DECREF(grouper);
    return result;
}

REDUCE(groupby)
{
    GroupBy *g = GROUPBY(self);
    if (itertools_warn_pickle() < 0) return NULL;
    if (g->target && g->key && g->value)
        return Py_BuildValue("O(OO)(OOO)", Py_TYPE(self), g->it, g->keyfunc, g->value, g->target, g->key);
    return Py_BuildValue("O(OO)", Py_TYPE(self), g->it, g->keyfunc);
}

SETSTATE(groupby)
{
    PyObject *value, *target, *key;
    if (itertools_warn_pickle() < 0) return NULL;
    if (!PyTuple_Check(arg)) {
        PyErr_SetString(PyExc_TypeError, "state is not a tuple");
        return NULL;
    }
    if (!PyArg_ParseTuple(arg, "OOO", &value, &target, &key)) return NULL;
    SET_FIELD(GROUPBY(self)->value, Py_NewRef(value));
    SET_FIELD(GROUPBY(self)->target, Py_NewRef(target));
    SET_FIELD(GROUPBY(self)->key, Py_NewRef(key));
    Py_RETURN_NONE;
}

static PyMethodDef groupby_methods[] = { METHOD(groupby, __reduce__), METHOD(groupby, __setstate__), { 0 } };
DEFINE_SPEC(groupby, GroupBy, ITERTOOL_FLAGS, ITERATOR_SLOTS(groupby),
            { Py_tp_doc, "groupby(iterable, key=None)\n--\n\nmake an iterator that returns consecutive keys and groups from the iterable\n\n"
                         "  iterable\n    Elements to divide into groups according to the key function.\n  key\n"
                         "    A function for computing the group category for each element.\n    If the key function is not specified or is None, the element itself\n"
                         "    is used for grouping." })

static PyObject *_grouper_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    ItertoolsState *state = itertools_state_of(type);
    PyObject *parent, *target;
    if (!state || refuse_keywords("_grouper", kwargs) < 0) return NULL;
    if (!PyArg_ParseTuple(args, "O!O:_grouper", state->groupby, &parent, &target)) return NULL;
    return grouper_make(type, parent, target);
}

static PyObject *_grouper_next(PyObject *o)
{
    GroupBy *parent = GROUPBY(GROUPER(o)->parent);
    if (parent->grouper != o) return NULL;
    if (!parent->value && groupby_step(parent) < 0) return NULL;
    if (!parent->key) return NULL;
    int same = same_key(GROUPER(o)->target, parent->key);
    if (same <= 0) return NULL;
    PyObject *value = parent->value;
    parent->value = NULL;
    Py_CLEAR(parent->key);
    return value;
}

/* A grouper that may no longer read is empty. */
static PyObject *grouper_reduce(PyObject *self, PyObject *Py_UNUSED(unused))
{
    if (itertools_warn_pickle() < 0) return NULL;
    if (GROUPBY(GROUPER(self)->parent)->grouper == self)
        return Py_BuildValue("O(OO)", Py_TYPE(self), GROUPER(self)->parent, GROUPER(self)->target);
    PyObject *builtins = PyEval_GetBuiltins(), *iter = builtins ? PyMapping_GetItemString(builtins, "iter") : NULL;
    return iter ? Py_BuildValue("N(())", iter) : NULL;
}

static PyMethodDef _grouper_methods[] = {
    { "__reduce__", grouper_reduce, METH_NOARGS, "__reduce__($self, /)\n--\n\nReturn state information for pickling." }, { 0 },
};
DEFINE_SPEC(_grouper, Grouper, HELPER_FLAGS, ITERATOR_SLOTS(_grouper))

/* ---- tee ---------------------------------------------------------------------------------------------------------------------------- */

enum { TEE_BLOCK = 57 };                      /* the block is 496 bytes */

typedef struct TeeData {
    PyObject_HEAD
    PyObject *it;
    int count, running;
    PyObject *next;                           /* block or NULL */
    PyObject *values[TEE_BLOCK];
} TeeData;

typedef struct Tee {
    PyObject_HEAD
    PyObject *data;
    int index;
    PyObject *weakreflist;
    void *unused;
} Tee;
_Static_assert(sizeof(TeeData) == 496 && sizeof(Tee) == 48 && offsetof(Tee, weakreflist) == 32, "visible sizes");

#define DATA(o) ((TeeData *)(o))
#define TEE(o) ((Tee *)(o))

static PyObject *data_make(PyTypeObject *type, PyObject *it)
{
    TeeData *self = PyObject_GC_New(TeeData, type);
    if (!self) return NULL;
    self->it = Py_NewRef(it);
    self->next = NULL;
    self->count = self->running = 0;
    PyObject_GC_Track(self);
    return (PyObject *)self;
}

/* The block behind. New reference. */
static PyObject *data_following(TeeData *self)
{
    if (!self->next) self->next = data_make(Py_TYPE(self), self->it);
    return Py_XNewRef(self->next);
}

static PyObject *data_item(TeeData *self, int i)
{
    if (i < self->count) return Py_NewRef(self->values[i]);
    if (self->running) {
        PyErr_SetString(PyExc_RuntimeError, "cannot re-enter the tee iterator");
        return NULL;
    }
    if (!PyIter_Check(self->it)) {                         /* blocks may be made by hand */
        PyErr_Format(PyExc_TypeError, "'%.200s' object is not an iterator", Py_TYPE(self->it)->tp_name);
        return NULL;
    }
    self->running = 1;
    PyObject *value = PyIter_Next(self->it);
    self->running = 0;
    if (!value) return NULL;
    self->values[self->count++] = Py_NewRef(value);
    return value;
}

static int _tee_dataobject_traverse(PyObject *o, visitproc visit, void *arg)
{
    VISIT_TYPE(o);
    Py_VISIT(DATA(o)->it);
    for (int i = 0; i < DATA(o)->count; i++) Py_VISIT(DATA(o)->values[i]);
    Py_VISIT(DATA(o)->next);
    return 0;
}

/* A long chain is taken apart link by link, not by recursion. */
static void release_chain(PyObject *next, PyTypeObject *type)
{
    while (next && Py_IS_TYPE(next, type) && Py_REFCNT(next) == 1) {
        PyObject *following = DATA(next)->next;
        DATA(next)->next = NULL;
        Py_DECREF(next);
        next = following;
    }
    Py_XDECREF(next);
}

static int _tee_dataobject_clear(PyObject *o)
{
    TeeData *self = DATA(o);
    int n = self->count;
    self->count = 0;
    Py_CLEAR(self->it);
    for (int i = 0; i < n; i++) Py_CLEAR(self->values[i]);
    PyObject *next = self->next;
    self->next = NULL;
    release_chain(next, Py_TYPE(o));
    return 0;
}

static void _tee_dataobject_dealloc(PyObject *o)
{
    PyObject_GC_UnTrack(o);
    _tee_dataobject_clear(o);
    free_instance(o);
}

static PyObject *_tee_dataobject_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *it, *values, *next;
    if (refuse_keywords("_tee_dataobject", kwargs) < 0) return NULL;
    if (!PyArg_ParseTuple(args, "OO!O:_tee_dataobject", &it, &PyList_Type, &values, &next)) return NULL;
    TeeData *self = DATA(data_make(type, it));
    if (!self) return NULL;
    Py_ssize_t n = PyList_GET_SIZE(values);
    if (n > TEE_BLOCK || (n < TEE_BLOCK && next != Py_None) || (next != Py_None && !Py_IS_TYPE(next, type))) {
        PyErr_SetString(PyExc_ValueError, "Invalid arguments");
        Py_DECREF(self);
        return NULL;
    }
    for (Py_ssize_t i = 0; i < n; i++) self->values[i] = Py_NewRef(PyList_GET_ITEM(values, i));
    self->count = (int)n;
    if (next != Py_None) self->next = Py_NewRef(next);
    return (PyObject *)self;
}

static PyObject *data_reduce(PyObject *self, PyObject *Py_UNUSED(unused))
{
    TeeData *d = DATA(self);
    if (itertools_warn_pickle() < 0) return NULL;
    PyObject *values = PyList_New(d->count);
    if (!values) return NULL;
    for (int i = 0; i < d->count; i++) PyList_SET_ITEM(values, i, Py_NewRef(d->values[i]));
    return Py_BuildValue("O(ONO)", Py_TYPE(self), d->it, values, d->next ? d->next : Py_None);
}

static PyMethodDef data_methods[] = {
    { "__reduce__", data_reduce, METH_NOARGS, "__reduce__($self, /)\n--\n\nReturn state information for pickling." }, { 0 },
};
DEFINE_SPEC(_tee_dataobject, TeeData, HELPER_FLAGS, COMMON_SLOTS(_tee_dataobject), SLOT(tp_methods, data_methods),
            { Py_tp_doc, "teedataobject(iterable, values, next, /)\n--\n\nData container common to multiple tee objects." })

static void tee_forget(PyObject *o)
{
    if (TEE(o)->weakreflist) PyObject_ClearWeakRefs(o);
}

static int _tee_traverse(PyObject *o, visitproc visit, void *arg)
{
    VISIT_TYPE(o);
    Py_VISIT(TEE(o)->data);
    return 0;
}

static int _tee_clear(PyObject *o)
{
    tee_forget(o);
    Py_CLEAR(TEE(o)->data);
    return 0;
}

static void _tee_dealloc(PyObject *o)
{
    PyObject_GC_UnTrack(o);
    _tee_clear(o);
    free_instance(o);
}

static PyObject *_tee_next(PyObject *o)
{
    Tee *self = TEE(o);
    if (self->index >= TEE_BLOCK) {
        PyObject *next = data_following(DATA(self->data));
        if (!next) return NULL;
        SET_FIELD(self->data, next);
        self->index = 0;
    }
    PyObject *data = Py_NewRef(self->data), *value = data_item(DATA(data), self->index);
    Py_DECREF(data);
    if (value) self->index++;
    return value;
}

static PyObject *tee_make(PyTypeObject *type, PyObject *data, int index)       /* steals data */
{
    Tee *self = data ? PyObject_GC_New(Tee, type) : NULL;
    if (!self) {
        Py_XDECREF(data);
        return NULL;
    }
    self->data = data;
    self->index = index;
    self->weakreflist = NULL;
    PyObject_GC_Track(self);
    return (PyObject *)self;
}

static PyObject *tee_over(ItertoolsState *state, PyObject *iterable)
{
    PyObject *it = PyObject_GetIter(iterable), *result;
    if (!it) return NULL;
    if (PyObject_TypeCheck(it, state->_tee)) result = tee_make(state->_tee, Py_NewRef(TEE(it)->data), TEE(it)->index);
    else result = tee_make(state->_tee, data_make(state->_tee_dataobject, it), 0);
    Py_DECREF(it);
    return result;
}

SIGNATURE(tee_new_signature, "tee", POSITIONAL, "(iterable, /)");

static PyObject *_tee_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *arg[1];
    ItertoolsState *state = itertools_state_of(type);
    if (!state || refuse_keywords("_tee", kwargs) < 0 || args_bind_tuple(&tee_new_signature, args, NULL, arg) < 0) return NULL;
    return tee_over(state, arg[0]);
}

BUILTIN_NOARGS(_tee, __copy__, "($self, /)", "Returns an independent iterator.")
{
    return tee_make(Py_TYPE(self), Py_NewRef(TEE(self)->data), TEE(self)->index);
}

REDUCE(_tee)
{
    if (itertools_warn_pickle() < 0) return NULL;
    return Py_BuildValue("O(())(Oi)", Py_TYPE(self), TEE(self)->data, TEE(self)->index);
}

SETSTATE(_tee)
{
    ItertoolsState *state = itertools_state_of(Py_TYPE(self));
    PyObject *data;
    int index;
    if (!state || itertools_warn_pickle() < 0) return NULL;
    if (!PyTuple_Check(arg)) {
        PyErr_SetString(PyExc_TypeError, "state is not a tuple");
        return NULL;
    }
    if (!PyArg_ParseTuple(arg, "O!i", state->_tee_dataobject, &data, &index)) return NULL;
    if (index < 0 || index > TEE_BLOCK) {
        PyErr_SetString(PyExc_ValueError, "Index out of range");
        return NULL;
    }
    SET_FIELD(TEE(self)->data, Py_NewRef(data));
    TEE(self)->index = index;
    Py_RETURN_NONE;
}

static PyMethodDef _tee_methods[] = { METHOD(_tee, __copy__), METHOD(_tee, __reduce__), METHOD(_tee, __setstate__), { 0 } };
static PyMemberDef _tee_members[] = { { "__weaklistoffset__", Py_T_PYSSIZET, offsetof(Tee, weakreflist), Py_READONLY, NULL }, { 0 } };
#define TEE_SLOTS                                                                                                         \
    SLOT(tp_dealloc, _tee_dealloc), SLOT(tp_traverse, _tee_traverse), SLOT(tp_clear, _tee_clear), SLOT(tp_new, _tee_new), \
    SLOT(tp_free, PyObject_GC_Del), SLOT(tp_iter, PyObject_SelfIter), SLOT(tp_iternext, _tee_next), SLOT(tp_methods, _tee_methods)
DEFINE_SPEC(_tee, Tee, HELPER_FLAGS, TEE_SLOTS, SLOT(tp_members, _tee_members),
            { Py_tp_doc, "_tee(iterable, /)\n--\n\nIterator wrapped to make it copyable." })

const char itertools_tee_doc[] = "tee($module, iterable, n=2, /)\n--\n\nReturns a tuple of n independent iterators.";

PyObject *itertools_tee(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    ItertoolsState *state = PyModule_GetState(module);
    Py_ssize_t n = 2;
    if (check_count("tee", nargs, 1, 2) < 0) return NULL;
    if (nargs == 2) {
        PyObject *index = PyNumber_Index(args[1]);
        if (!index) return NULL;
        n = PyLong_AsSsize_t(index);
        Py_DECREF(index);
        if (n == -1 && PyErr_Occurred()) return NULL;
    }
    if (n < 0) {
        PyErr_SetString(PyExc_ValueError, "n must be >= 0");
        return NULL;
    }
    PyObject *result = PyTuple_New(n), *it, *copy = NULL;
    Py_ssize_t i = 0;
    if (!result || n == 0) return result;
    if (!(it = PyObject_GetIter(args[0]))) goto fail;
    if (PyObject_GetOptionalAttrString(it, "__copy__", &copy) < 0) {
        Py_DECREF(it);
        goto fail;
    }
    if (copy) Py_DECREF(it);                               /* all that is given out are copies */
    else {
        PyObject *tee = tee_over(state, it);
        Py_DECREF(it);
        if (!tee) goto fail;
        PyTuple_SET_ITEM(result, i++, tee);
        if (!(copy = PyObject_GetAttrString(tee, "__copy__"))) goto fail;
    }
    for (; i < n; i++) {
        PyObject *next = PyObject_CallNoArgs(copy);
        if (!next) goto fail;
        PyTuple_SET_ITEM(result, i, next);
    }
    Py_DECREF(copy);
    return result;
fail:
    Py_XDECREF(copy);
    Py_DECREF(result);
    return NULL;
}
