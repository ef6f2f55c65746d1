/* functools.lru_cache: the wrapper around a function that remembers results.
 *
 * Three ways to call: without a cache (maxsize 0), with one that only grows, with one that drops what was not used for longest. The
 * last keeps its entries in a ring of Links, oldest behind the root; the dict maps keys to Links. A comparison of keys may call the
 * cached function again: a Link is in the ring only while it is in the dict, and nothing is assumed about either across a dict call. */
#include "modules/_functools.h"
#include "objects/dict.h"

#include <structmember.h>

typedef struct Link {
    PyObject_HEAD
    struct Link *previous, *next;
    Py_hash_t hash;
    PyObject *key, *result;
} Link;

typedef struct LruCache {
    Link root;                                /* begins with this object's head; key and result unused */
    ternaryfunc call;
    int typed;
    PyObject *cache;                          /* dict */
    Py_ssize_t hits;
    PyObject *function;
    Py_ssize_t maxsize;                       /* -1: without limit */
    Py_ssize_t misses;
    PyObject *keyword_mark;
    PyTypeObject *link_type;
    PyObject *info_type;
    PyObject *dict, *weakreflist;
} LruCache;
_Static_assert(sizeof(LruCache) == 152 && offsetof(LruCache, dict) == 136, "visible as __basicsize__, __dictoffset__");

#define LRU(o) ((LruCache *)(o))

/* ---- links ------------------------------------------------------------------------------------------------------------------- */

static void link_dealloc(PyObject *o)
{
    PyTypeObject *type = Py_TYPE(o);
    Py_XDECREF(((Link *)o)->key);
    Py_XDECREF(((Link *)o)->result);
    type->tp_free(o);
    Py_DECREF(type);
}

static PyType_Slot lru_link_slots[] = { SLOT(tp_dealloc, link_dealloc), { 0, NULL } };
PyType_Spec lru_link_spec = {
    "functools._lru_list_elem", sizeof(Link), 0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE, lru_link_slots,
};

static void ring_remove(Link *link)
{
    link->previous->next = link->next;
    link->next->previous = link->previous;
}

static void ring_add_newest(LruCache *self, Link *link)
{
    Link *root = &self->root, *last = root->previous;
    last->next = root->previous = link;
    link->previous = last;
    link->next = root;
}

static void ring_add_oldest(LruCache *self, Link *link)
{
    Link *root = &self->root, *first = root->next;
    first->previous = root->next = link;
    link->previous = root;
    link->next = first;
}

/* Takes all links out; returns them chained through next. The ring's references go to the caller. */
static Link *ring_unlink_all(LruCache *self)
{
    Link *root = &self->root, *link = root->next;
    if (link == root) return NULL;
    root->previous->next = NULL;
    root->next = root->previous = root;
    return link;
}

static void release_chain(Link *link)
{
    while (link) {
        Link *next = link->next;
        Py_DECREF(link);
        link = next;
    }
}

/* ---- keys -------------------------------------------------------------------------------------------------------------------- */

/* What stands for a call: the argument itself when it is one int or str, else a tuple. */
static PyObject *make_key(LruCache *self, PyObject *args, PyObject *kwargs)
{
    Py_ssize_t n = PyTuple_GET_SIZE(args), nkw = kwargs ? PyDict_GET_SIZE(kwargs) : 0, k = 0, at = 0;
    if (!self->typed && !nkw) {
        if (n == 1) {
            PyObject *only = PyTuple_GET_ITEM(args, 0);
            if (PyUnicode_CheckExact(only) || PyLong_CheckExact(only)) return Py_NewRef(only);
        }
        return Py_NewRef(args);
    }
    Py_ssize_t size = n + (nkw ? 1 + 2 * nkw : 0) + (self->typed ? n + nkw : 0);
    PyObject *key = PyTuple_New(size), *name, *value;
    if (!key) return NULL;
    for (Py_ssize_t i = 0; i < n; i++) PyTuple_SET_ITEM(key, k++, Py_NewRef(PyTuple_GET_ITEM(args, i)));
    if (nkw) {
        PyTuple_SET_ITEM(key, k++, Py_NewRef(self->keyword_mark));
        while (PyDict_Next(kwargs, &at, &name, &value)) {
            PyTuple_SET_ITEM(key, k++, Py_NewRef(name));
            PyTuple_SET_ITEM(key, k++, Py_NewRef(value));
        }
    }
    if (self->typed) {
        for (Py_ssize_t i = 0; i < n; i++) PyTuple_SET_ITEM(key, k++, Py_NewRef((PyObject *)Py_TYPE(PyTuple_GET_ITEM(args, i))));
        for (at = 0; nkw && PyDict_Next(kwargs, &at, &name, &value);) PyTuple_SET_ITEM(key, k++, Py_NewRef((PyObject *)Py_TYPE(value)));
    }
    assert(k == size);
    return key;
}

/* ---- calls ---------------------------------------------------------------------------------------------------------------------- */

static PyObject *call_uncached(PyObject *o, PyObject *args, PyObject *kwargs)
{
    LRU(o)->misses++;
    return PyObject_Call(LRU(o)->function, args, kwargs);
}

static PyObject *call_unlimited(PyObject *o, PyObject *args, PyObject *kwargs)
{
    LruCache *self = LRU(o);
    PyObject *key = make_key(self, args, kwargs), *result = NULL;
    if (!key) return NULL;
    Py_hash_t hash = PyObject_Hash(key);
    if (hash == -1) goto done;
    result = _PyDict_GetItem_KnownHash(self->cache, key, hash);    /* borrowed */
    if (result) {
        Py_INCREF(result);
        self->hits++;
        goto done;
    }
    if (PyErr_Occurred()) goto done;
    self->misses++;
    result = PyObject_Call(self->function, args, kwargs);
    if (result && dict_set_known_hash((PyDictObject *)self->cache, key, hash, result) < 0) Py_CLEAR(result);
done:
    Py_DECREF(key);
    return result;
}

/* Enters a result that was just computed, its key being absent. 0 or -1. */
static int remember(LruCache *self, PyObject *key, Py_hash_t hash, PyObject *result)
{
    PyDictObject *cache = (PyDictObject *)self->cache;
    Link *link;
    PyObject *popped, *old_key = NULL, *old_result = NULL;
    if (PyDict_GET_SIZE(self->cache) < self->maxsize || self->root.next == &self->root) {
        if (!(link = PyObject_New(Link, self->link_type))) return -1;
        link->key = link->result = NULL;
    }
    else {
        /* Full: the oldest link is used again. */
        link = self->root.next;
        ring_remove(link);
        int found = dict_pop_known_hash(cache, link->key, link->hash, &popped);
        if (found < 0) {
            ring_add_oldest(self, link);
            return -1;
        }
        if (found == 0) {                                  /* somebody removed the key meanwhile: the link is nobody's */
            Py_DECREF(link);
            return 0;
        }
        Py_DECREF(popped);                                 /* the ring's reference, now ours, remains */
        old_key = link->key;
        old_result = link->result;
    }
    link->hash = hash;
    link->key = Py_NewRef(key);
    link->result = Py_NewRef(result);
    int status = dict_set_known_hash(cache, key, hash, (PyObject *)link);
    if (status == 0) ring_add_newest(self, link);
    else Py_DECREF(link);
    Py_XDECREF(old_key);                                   /* may run code: everything is in order by now */
    Py_XDECREF(old_result);
    return status;
}

static PyObject *call_bounded(PyObject *o, PyObject *args, PyObject *kwargs)
{
    LruCache *self = LRU(o);
    PyObject *key = make_key(self, args, kwargs), *result = NULL;
    if (!key) return NULL;
    Py_hash_t hash = PyObject_Hash(key);
    if (hash == -1) goto done;
    Link *link = (Link *)_PyDict_GetItem_KnownHash(self->cache, key, hash);
    if (link) {
        ring_remove(link);
        ring_add_newest(self, link);
        result = Py_NewRef(link->result);
        self->hits++;
        goto done;
    }
    if (PyErr_Occurred()) goto done;
    self->misses++;
    if (!(result = PyObject_Call(self->function, args, kwargs))) goto done;
    if (_PyDict_GetItem_KnownHash(self->cache, key, hash)) goto done;      /* the call itself entered this key */
    if (PyErr_Occurred() || remember(self, key, hash, result) < 0) Py_CLEAR(result);
done:
    Py_DECREF(key);
    return result;
}

static PyObject *lru_call(PyObject *self, PyObject *args, PyObject *kwargs) { return LRU(self)->call(self, args, kwargs); }

/* ---- the type ------------------------------------------------------------------------------------------------------------------- */

SIGNATURE(lru_signature, "lru_cache", KEYWORDS, "(user_function, maxsize, typed, cache_info_type)");

static PyObject *lru_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *arg[4];
    if (args_bind_tuple(&lru_signature, args, kwargs, arg) < 0) return NULL;
    if (!PyCallable_Check(arg[0])) {
        PyErr_SetString(PyExc_TypeError, "the first argument must be callable");
        return NULL;
    }
    FunctoolsState *state = functools_state_of(type);
    int typed = state ? PyObject_IsTrue(arg[2]) : -1;
    if (typed < 0) return NULL;
    Py_ssize_t maxsize = -1;
    if (arg[1] != Py_None) {
        if (!PyIndex_Check(arg[1])) {
            PyErr_SetString(PyExc_TypeError, "maxsize should be integer or None");
            return NULL;
        }
        maxsize = PyNumber_AsSsize_t(arg[1], PyExc_OverflowError);
        if (maxsize == -1 && PyErr_Occurred()) return NULL;
        if (maxsize < 0) maxsize = 0;
    }
    PyObject *cache = PyDict_New();
    LruCache *self = cache ? (LruCache *)type->tp_alloc(type, 0) : NULL;
    if (!self) {
        Py_XDECREF(cache);
        return NULL;
    }
    self->root.previous = self->root.next = &self->root;
    self->call = maxsize < 0 ? call_unlimited : maxsize == 0 ? call_uncached : call_bounded;
    self->typed = typed;
    self->cache = cache;
    self->function = Py_NewRef(arg[0]);
    self->maxsize = maxsize;
    self->keyword_mark = Py_NewRef(state->keyword_mark);
    self->link_type = (PyTypeObject *)Py_NewRef((PyObject *)state->link_type);
    self->info_type = Py_NewRef(arg[3]);
    return (PyObject *)self;
}

static int lru_clear_all(PyObject *o)
{
    LruCache *self = LRU(o);
    Link *links = self->root.next ? ring_unlink_all(self) : NULL;
    Py_CLEAR(self->cache);
    Py_CLEAR(self->function);
    Py_CLEAR(self->keyword_mark);
    Py_CLEAR(self->link_type);
    Py_CLEAR(self->info_type);
    Py_CLEAR(self->dict);
    release_chain(links);
    return 0;
}

static void lru_dealloc(PyObject *o)
{
    PyObject_GC_UnTrack(o);
    if (LRU(o)->weakreflist) PyObject_ClearWeakRefs(o);
    lru_clear_all(o);
    free_instance(o);
}

static int lru_traverse(PyObject *o, visitproc visit, void *arg)
{
    LruCache *self = LRU(o);
    VISIT_TYPE(o);
    for (Link *link = self->root.next; link && link != &self->root; link = link->next) {
        Py_VISIT(link->key);                               /* links are not collectable themselves */
        Py_VISIT(link->result);
        Py_VISIT(Py_TYPE(link));
    }
    Py_VISIT(self->cache);
    Py_VISIT(self->function);
    Py_VISIT(self->keyword_mark);
    Py_VISIT(self->link_type);
    Py_VISIT(self->info_type);
    Py_VISIT(self->dict);
    return 0;
}

static PyObject *lru_descr_get(PyObject *self, PyObject *obj, PyObject *Py_UNUSED(type))
{
    return !obj || obj == Py_None ? Py_NewRef(self) : PyMethod_New(self, obj);
}

BUILTIN_NOARGS(lru, cache_info, "($self, /)", "Report cache statistics")
{
    LruCache *c = LRU(self);
    if (c->maxsize == -1) return PyObject_CallFunction(c->info_type, "nnOn", c->hits, c->misses, Py_None, PyDict_GET_SIZE(c->cache));
    return PyObject_CallFunction(c->info_type, "nnnn", c->hits, c->misses, c->maxsize, PyDict_GET_SIZE(c->cache));
}

BUILTIN_NOARGS(lru, cache_clear, "($self, /)", "Clear the cache and cache statistics")
{
    Link *links = ring_unlink_all(LRU(self));
    LRU(self)->hits = LRU(self)->misses = 0;
    PyDict_Clear(LRU(self)->cache);
    release_chain(links);
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(lru, __reduce__, "($self, /)", "The qualified name: it is pickled by reference.")
{
    return PyObject_GetAttrString(self, "__qualname__");
}

static PyObject *lru_copy(PyObject *self, PyObject *Py_UNUSED(arg)) { return Py_NewRef(self); }

static PyMethodDef lru_methods[] = {
    METHOD(lru, cache_info), METHOD(lru, cache_clear), METHOD(lru, __reduce__), { "__copy__", lru_copy, METH_VARARGS, NULL },
    { "__deepcopy__", lru_copy, METH_VARARGS, NULL }, { 0 },
};

static PyMemberDef lru_members[] = {
    { "__dictoffset__", Py_T_PYSSIZET, offsetof(LruCache, dict), Py_READONLY, NULL },
    { "__weaklistoffset__", Py_T_PYSSIZET, offsetof(LruCache, weakreflist), Py_READONLY, NULL },
    { 0 },
};

static PyGetSetDef lru_getset[] = { { "__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, NULL, NULL }, { 0 } };

static PyType_Slot lru_cache_slots[] = {
    { Py_tp_doc, "Create a cached callable that wraps another function.\n\nuser_function:      the function being cached\n\n"
                 "maxsize:  0         for no caching\n          None      for unlimited cache size\n"
                 "          n         for a bounded cache\n\ntyped:    False     cache f(3) and f(3.0) as identical calls\n"
                 "          True      cache f(3) and f(3.0) as distinct calls\n\ncache_info_type:    namedtuple class with the fields:\n"
                 "                        hits misses currsize maxsize\n" },
    SLOT(tp_dealloc, lru_dealloc), SLOT(tp_call, lru_call), SLOT(tp_traverse, lru_traverse), SLOT(tp_clear, lru_clear_all),
    SLOT(tp_methods, lru_methods), SLOT(tp_members, lru_members), SLOT(tp_getset, lru_getset), SLOT(tp_descr_get, lru_descr_get),
    SLOT(tp_new, lru_new), { 0, NULL },
};
PyType_Spec lru_cache_spec = {
    "functools._lru_cache_wrapper", sizeof(LruCache), 0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_METHOD_DESCRIPTOR | Py_TPFLAGS_IMMUTABLETYPE, lru_cache_slots,
};
