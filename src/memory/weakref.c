/* Weak references: the lists of references to an object, weakref.ref, and clearing when an object dies.
 * The proxies are in weakproxy.c.
 *
 * Where the object's type has a positive offset, the head of the list is that field: extensions test it. Otherwise (Python
 * classes, static types) it is an entry of a table of the interpreter keyed by address; a bit of the slot's state says that
 * there is one, so that objects without weak references pay nothing, not even a look-up.
 *
 * Invariant of a list: the reusable reference (exactly weakref.ref, no callback) comes first, then the reusable proxy, then
 * the others, newest first. */
#include "memory/alloc.h"
#include "memory/weakref.h"
#include "objects/type.h"

#include <stdlib.h>

/* ---- the table -------------------------------------------------------------------------------------------------------- */

#define DELETED ((PyObject *)1)

static size_t hash_address(PyObject *o) { return (size_t)(((uintptr_t)o >> 3) * 0x9E3779B97F4A7C15ull >> 20); }

static WeakrefEntry *table_find(WeakrefTable *table, PyObject *o)
{
    if (!table->entries) return NULL;
    for (size_t i = hash_address(o) & table->mask;; i = (i + 1) & table->mask) {
        WeakrefEntry *entry = &table->entries[i];
        if (entry->object == o) return entry;
        if (!entry->object) return NULL;
    }
}

static int table_resize(WeakrefTable *table, size_t extra)
{
    size_t size = 64;
    while (size < (table->used + extra) * 3) size *= 2;
    WeakrefEntry *entries = calloc(size, sizeof *entries);
    if (!entries) return -1;
    for (size_t i = 0; table->entries && i <= table->mask; i++) {
        WeakrefEntry *old = &table->entries[i];
        if (!old->object || old->object == DELETED) continue;
        size_t at = hash_address(old->object) & (size - 1);
        while (entries[at].object) at = (at + 1) & (size - 1);
        entries[at] = *old;
    }
    free(table->entries);
    table->entries = entries;
    table->mask = size - 1;
    table->filled = table->used;
    return 0;
}

static WeakrefEntry *table_add(WeakrefTable *table, PyObject *o)
{
    if (!table->entries || (table->filled + 1) * 3 > (table->mask + 1) * 2) {
        if (table_resize(table, 0) < 0) return NULL;
    }
    size_t i = hash_address(o) & table->mask;
    while (table->entries[i].object && table->entries[i].object != DELETED) i = (i + 1) & table->mask;
    if (!table->entries[i].object) table->filled++;
    table->used++;
    table->entries[i] = (WeakrefEntry){ o, NULL };
    return &table->entries[i];
}

/* Into another interpreter's table, with the heap that the objects are in. False, and nothing changed: no memory, or a static
 * type that both have references to. */
bool weakref_table_adopt(WeakrefTable *into, WeakrefTable *from)
{
    if (from->used) {
        for (size_t i = 0; i <= from->mask; i++) {
            PyObject *o = from->entries[i].object;
            if (o && o != DELETED && table_find(into, o)) return false;
        }
        if (table_resize(into, from->used) < 0) return false;
        for (size_t i = 0; i <= from->mask; i++) {
            PyObject *o = from->entries[i].object;
            if (o && o != DELETED) table_add(into, o)->list = from->entries[i].list;
        }
    }
    weakref_table_free(from);
    return true;
}

void weakref_table_free(WeakrefTable *table)
{
    free(table->entries);
    *table = (WeakrefTable){ 0 };
}

/* ---- heads ------------------------------------------------------------------------------------------------------------- */

static bool has_state(PyObject *o) { return !_Py_IsImmortal(o) && PyObject_IS_GC(o); }

/* Of the interpreter in whose heap the object is: interpreters under one GIL may pass it around. Static types are everyone's. */
static WeakrefTable *table_of(PyObject *o)
{
    if (!has_state(o)) return &interp_get()->weakrefs;
    Segment *segment = (Segment *)((uintptr_t)o & ~(uintptr_t)(SEGMENT_SIZE - 1));
    return &((Interpreter *)(void *)segment->heap)->weakrefs;
}

/* Lists of this object are in the table: Python classes' instances and static types. */
static bool in_table(PyObject *o)
{
    PyTypeObject *type = Py_TYPE(o);
    return type->tp_weaklistoffset < 0 || (PyType_Check(o) && !(((PyTypeObject *)o)->tp_flags & Py_TPFLAGS_HEAPTYPE));
}

PyWeakReference **weakref_list(PyObject *o, bool create)
{
    PyTypeObject *type = Py_TYPE(o);
    if (type->tp_weaklistoffset == 0) {
        if (create) PyErr_Format(PyExc_TypeError, "cannot create weak reference to '%s' object", type->tp_name);
        return NULL;
    }
    if (!in_table(o)) {
        PyWeakReference **list = (PyWeakReference **)((char *)o + type->tp_weaklistoffset);
        return create || *list ? list : NULL;
    }
    uint8_t *state = has_state(o) ? slot_state(o) : NULL;
    if (state && !(*state & SLOT_WEAKLY_REFERENCED) && !create) return NULL;
    WeakrefTable *table = table_of(o);
    WeakrefEntry *entry = table_find(table, o);
    if (!entry && create) {
        if (!(entry = table_add(table, o))) {
            PyErr_NoMemory();
            return NULL;
        }
        if (state) *state |= SLOT_WEAKLY_REFERENCED;
    }
    return entry ? &entry->list : NULL;
}

bool weakref_any(PyObject *o)
{
    PyWeakReference **list = Py_TYPE(o)->tp_weaklistoffset ? weakref_list(o, false) : NULL;
    return list && *list;
}

/* After the last reference left: the entry goes. */
static void list_emptied(PyObject *o)
{
    if (!in_table(o)) return;
    WeakrefTable *table = table_of(o);
    WeakrefEntry *entry = table_find(table, o);
    if (!entry) return;
    *entry = (WeakrefEntry){ DELETED, NULL };
    table->used--;
    if (has_state(o)) *slot_state(o) &= (uint8_t)~SLOT_WEAKLY_REFERENCED;
}

/* ---- linking ------------------------------------------------------------------------------------------------------------- */

static void link_after(PyWeakReference *ref, PyWeakReference *previous)
{
    ref->wr_prev = previous;
    ref->wr_next = previous->wr_next;
    if (ref->wr_next) ref->wr_next->wr_prev = ref;
    previous->wr_next = ref;
}

static void link_first(PyWeakReference *ref, PyWeakReference **list)
{
    ref->wr_prev = NULL;
    ref->wr_next = *list;
    if (*list) (*list)->wr_prev = ref;
    *list = ref;
}

/* Unlinks ref from its object; the callback stays. */
void weakref_clear_one(PyWeakReference *ref)
{
    PyObject *o = ref->wr_object;
    if (o == Py_None) return;
    PyWeakReference **list = weakref_list(o, false);
    if (list && *list == ref) *list = ref->wr_next;
    if (ref->wr_prev) ref->wr_prev->wr_next = ref->wr_next;
    if (ref->wr_next) ref->wr_next->wr_prev = ref->wr_prev;
    ref->wr_prev = ref->wr_next = NULL;
    ref->wr_object = Py_None;
    if (list && !*list) list_emptied(o);
}

void _PyWeakref_ClearRef(PyWeakReference *ref) { weakref_clear_one(ref); }

static void clear_with_callback(PyWeakReference *ref)
{
    weakref_clear_one(ref);
    Py_CLEAR(ref->wr_callback);
}

static bool is_basic_ref(PyWeakReference *ref) { return ref->wr_callback == NULL && PyWeakref_CheckRefExact(ref); }
static bool is_basic_proxy(PyWeakReference *ref) { return ref->wr_callback == NULL && PyWeakref_CheckProxy(ref); }

static void basic_refs(PyWeakReference *head, PyWeakReference **ref, PyWeakReference **proxy)
{
    *ref = *proxy = NULL;
    if (head && is_basic_ref(head)) {
        *ref = head;
        head = head->wr_next;
    }
    if (head && is_basic_proxy(head)) *proxy = head;
}

static PyWeakReference *weakref_new_raw(PyTypeObject *type, PyObject *o, PyObject *callback)
{
    PyWeakReference *ref = (PyWeakReference *)type->tp_alloc(type, 0);
    if (!ref) return NULL;
    ref->hash = -1;
    ref->wr_object = o;
    ref->wr_callback = Py_XNewRef(callback);
    ref->vectorcall = weakref_vectorcall;
    return ref;
}

/* New reference of the given type, or the reusable one. */
static PyObject *get_or_create(PyTypeObject *type, PyObject *o, PyObject *callback)
{
    PyWeakReference **list = weakref_list(o, true), *ref, *proxy;
    if (!list) return NULL;
    if (callback == Py_None) callback = NULL;
    bool is_proxy = type == &_PyWeakref_ProxyType || type == &_PyWeakref_CallableProxyType;
    bool reusable = !callback && (type == &_PyWeakref_RefType || is_proxy);
    if (reusable) {
        basic_refs(*list, &ref, &proxy);
        PyWeakReference *existing = is_proxy ? proxy : ref;
        if (existing && Py_REFCNT(existing) > 0) return Py_NewRef(existing);
    }
    PyWeakReference *new = weakref_new_raw(type, o, callback);
    if (!new) {
        if (!*list) list_emptied(o);
        return NULL;
    }
    list = weakref_list(o, true);                /* the allocation may have collected, and the table may have moved */
    if (!list) {
        new->wr_object = Py_None;
        Py_DECREF(new);
        return NULL;
    }
    basic_refs(*list, &ref, &proxy);
    PyWeakReference *after = reusable && !is_proxy ? NULL : reusable ? ref : proxy ? proxy : ref;
    if (after) link_after(new, after);
    else link_first(new, list);
    return (PyObject *)new;
}

/* ---- the type ---------------------------------------------------------------------------------------------------------------- */

static PyObject *weakref_get(PyWeakReference *ref)
{
    PyObject *o = ref->wr_object;
    return o != Py_None && Py_REFCNT(o) > 0 ? o : NULL;
}

static PyObject *ref_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *o, *callback = NULL;
    if (type == &_PyWeakref_RefType && kwargs && PyDict_GET_SIZE(kwargs)) {
        PyErr_SetString(PyExc_TypeError, "ref() takes no keyword arguments");
        return NULL;
    }
    if (!PyArg_UnpackTuple(args, "__new__", 1, 2, &o, &callback)) return NULL;
    return get_or_create(type, o, callback);
}

static int ref_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    PyObject *o, *callback = NULL;
    if (kwargs && PyDict_GET_SIZE(kwargs)) {
        PyErr_SetString(PyExc_TypeError, "ref() takes no keyword arguments");
        return -1;
    }
    return PyArg_UnpackTuple(args, "__init__", 1, 2, &o, &callback) ? 0 : -1;
}

void weakref_dealloc(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    clear_with_callback((PyWeakReference *)self);
    Py_TYPE(self)->tp_free(self);
}

int weakref_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(((PyWeakReference *)self)->wr_callback);
    return 0;
}

int weakref_clear(PyObject *self)
{
    clear_with_callback((PyWeakReference *)self);
    return 0;
}

PyObject *weakref_vectorcall(PyObject *self, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    if (kwnames && PyTuple_GET_SIZE(kwnames)) return PyErr_Format(PyExc_TypeError, "weakref() takes no keyword arguments");
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    if (nargs != 0) return PyErr_Format(PyExc_TypeError, "weakref expected 0 arguments, got %zd", nargs);
    PyObject *o = weakref_get((PyWeakReference *)self);
    return Py_NewRef(o ? o : Py_None);
}

static Py_hash_t ref_hash(PyObject *self)
{
    PyWeakReference *ref = (PyWeakReference *)self;
    if (ref->hash != -1) return ref->hash;
    PyObject *o = Py_XNewRef(weakref_get(ref));
    if (!o) {
        PyErr_SetString(PyExc_TypeError, "weak object has gone away");
        return -1;
    }
    ref->hash = PyObject_Hash(o);
    Py_DECREF(o);
    return ref->hash;
}

static PyObject *ref_repr(PyObject *self)
{
    PyObject *o = Py_XNewRef(weakref_get((PyWeakReference *)self));
    if (!o) return PyUnicode_FromFormat("<weakref at %p; dead>", self);
    PyObject *name = type_lookup_special_bound(o, STR(__name__)), *repr;      /* the type's: a __getattr__ is not asked */
    if (!name) PyErr_Clear();
    if (name && PyUnicode_Check(name)) repr = PyUnicode_FromFormat("<weakref at %p; to '%T' at %p (%U)>", self, o, o, name);
    else repr = PyUnicode_FromFormat("<weakref at %p; to '%T' at %p>", self, o, o);
    Py_XDECREF(name);
    Py_DECREF(o);
    return repr;
}

/* Alive on both sides: as the objects compare. Otherwise by identity. */
static PyObject *ref_richcompare(PyObject *self, PyObject *other, int op)
{
    if ((op != Py_EQ && op != Py_NE) || !PyWeakref_Check(self) || !PyWeakref_Check(other)) Py_RETURN_NOTIMPLEMENTED;
    PyObject *a = weakref_get((PyWeakReference *)self), *b = weakref_get((PyWeakReference *)other);
    if (!a || !b) return PyBool_FromLong((self == other) == (op == Py_EQ));
    Py_INCREF(a);
    Py_INCREF(b);
    PyObject *result = PyObject_RichCompare(a, b, op);
    Py_DECREF(a);
    Py_DECREF(b);
    return result;
}


static PyObject *ref_get_callback(PyObject *self, void *closure)
{
    PyObject *callback = ((PyWeakReference *)self)->wr_callback;
    return Py_NewRef(callback ? callback : Py_None);
}

static PyGetSetDef ref_getset[] = { { "__callback__", ref_get_callback, NULL, NULL, NULL }, { 0 } };

static PyMethodDef ref_methods[] = {
    { "__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, PyDoc_STR("See PEP 585") },
    { 0 }
};

PyTypeObject _PyWeakref_RefType = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "weakref.ReferenceType",
    .tp_basicsize = sizeof(PyWeakReference),
    .tp_dealloc = weakref_dealloc,
    .tp_vectorcall_offset = offsetof(PyWeakReference, vectorcall),
    .tp_call = PyVectorcall_Call,
    .tp_repr = ref_repr,
    .tp_hash = ref_hash,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_BASETYPE,
    .tp_traverse = weakref_traverse,
    .tp_clear = weakref_clear,
    .tp_richcompare = ref_richcompare,
    .tp_methods = ref_methods,
    .tp_getset = ref_getset,
    .tp_init = ref_init,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = ref_new,
    .tp_free = PyObject_GC_Del,
};

/* ---- public functions -------------------------------------------------------------------------------------------------------- */

PyObject *PyWeakref_NewRef(PyObject *o, PyObject *callback) { return get_or_create(&_PyWeakref_RefType, o, callback); }

PyObject *PyWeakref_NewProxy(PyObject *o, PyObject *callback)
{
    return get_or_create(PyCallable_Check(o) ? &_PyWeakref_CallableProxyType : &_PyWeakref_ProxyType, o, callback);
}

int PyWeakref_GetRef(PyObject *ref, PyObject **result)
{
    *result = NULL;
    if (!ref) {
        PyErr_BadInternalCall();
        return -1;
    }
    if (!PyWeakref_Check(ref)) {
        PyErr_SetString(PyExc_TypeError, "expected a weakref");
        return -1;
    }
    *result = Py_XNewRef(weakref_get((PyWeakReference *)ref));
    return *result != NULL;
}

PyObject *PyWeakref_GetObject(PyObject *ref)
{
    if (!ref || !PyWeakref_Check(ref)) {
        PyErr_BadInternalCall();
        return NULL;
    }
    PyObject *o = weakref_get((PyWeakReference *)ref);
    return o ? o : Py_None;
}

Py_ssize_t weakref_count(PyObject *o)
{
    PyWeakReference **list = Py_TYPE(o)->tp_weaklistoffset ? weakref_list(o, false) : NULL;
    Py_ssize_t n = 0;
    for (PyWeakReference *ref = list ? *list : NULL; ref; ref = ref->wr_next) n++;
    return n;
}

static void run_callback(PyWeakReference *ref, PyObject *callback)
{
    PyObject *result = PyObject_CallOneArg(callback, (PyObject *)ref);
    if (result) Py_DECREF(result);
    else PyErr_WriteUnraisable(callback);
}

/* The object is dying (count 0): all references are cleared first, then the callbacks run, newest reference first. */
void PyObject_ClearWeakRefs(PyObject *o)
{
    if (!o || !Py_TYPE(o)->tp_weaklistoffset || Py_REFCNT(o) != 0) {
        PyErr_BadInternalCall();
        return;
    }
    PyWeakReference **list = weakref_list(o, false), *ref;
    if (!list) return;
    while (list && (ref = *list) && !ref->wr_callback) {
        weakref_clear_one(ref);
        list = weakref_list(o, false);
    }
    if (!list || !*list) return;
    PyObject *pending = PyErr_GetRaisedException();
    Py_ssize_t n = weakref_count(o);
    if (n == 1 && Py_REFCNT(*list) > 0) {                 /* the common case needs no list */
        ref = (PyWeakReference *)Py_NewRef(*list);
        PyObject *callback = ref->wr_callback;
        ref->wr_callback = NULL;
        weakref_clear_one(ref);
        if (callback) run_callback(ref, callback);
        Py_XDECREF(callback);
        Py_DECREF(ref);
        PyErr_SetRaisedException(pending);
        return;
    }
    PyObject *due = PyTuple_New(n * 2);
    if (!due) PyErr_WriteUnraisable(NULL);                /* references are cleared all the same, without callbacks */
    for (Py_ssize_t i = 0; (list = weakref_list(o, false)) && (ref = *list); i++) {
        PyObject *callback = ref->wr_callback;
        weakref_clear_one(ref);
        ref->wr_callback = NULL;
        if (due && Py_REFCNT(ref) > 0) {
            PyTuple_SET_ITEM(due, i * 2, Py_NewRef(ref));
            PyTuple_SET_ITEM(due, i * 2 + 1, callback);
        }
        else Py_XDECREF(callback);
    }
    for (Py_ssize_t i = 0; due && i < n; i++) {
        PyObject *callback = PyTuple_GET_ITEM(due, i * 2 + 1);
        if (callback) run_callback((PyWeakReference *)PyTuple_GET_ITEM(due, i * 2), callback);
    }
    Py_XDECREF(due);
    PyErr_SetRaisedException(pending);
}

void PyUnstable_Object_ClearWeakRefsNoCallbacks(PyObject *o)
{
    PyWeakReference **list;
    if (!Py_TYPE(o)->tp_weaklistoffset) return;
    while ((list = weakref_list(o, false)) && *list) clear_with_callback(*list);
}
