/* list: a growing vector of references. Sorting is in list_sort.c.
 *
 * Storage grows by about an eighth, in the steps that sys.getsizeof shows under CPython. Removed items are released only when the
 * list is consistent again, because a release may run any code. While the list is sorted allocated is -1. */
#include "objects/list.h"

#include "objects/dict_private.h"
#include "objects/tuple.h"

/* ---- storage ---------------------------------------------------------------------------------------------------------- */

static int list_reallocate(PyListObject *list, size_t capacity)
{
    if (capacity > (size_t)PY_SSIZE_T_MAX / sizeof(PyObject *)) {
        PyErr_NoMemory();
        return -1;
    }
    PyObject **items = PyMem_Realloc(list->ob_item, capacity * sizeof(PyObject *));
    if (!items) {
        PyErr_NoMemory();
        return -1;
    }
    list->ob_item = items;
    list->allocated = (Py_ssize_t)capacity;
    return 0;
}

/* Sets the size to n, growing or shrinking the storage when worth it. New items are uninitialised. */
static int list_resize(PyListObject *list, Py_ssize_t n)
{
    Py_ssize_t allocated = list->allocated;
    if (LIKELY(allocated >= n && n >= (allocated >> 1))) {
        Py_SET_SIZE(list, n);
        return 0;
    }
    size_t capacity = ((size_t)n + ((size_t)n >> 3) + 6) & ~(size_t)3;
    if (n - Py_SIZE(list) > (Py_ssize_t)(capacity - (size_t)n)) capacity = ((size_t)n + 3) & ~(size_t)3;
    if (n == 0) {
        PyMem_Free(list->ob_item);
        list->ob_item = NULL;
        list->allocated = 0;
    }
    else if (list_reallocate(list, capacity) < 0) return -1;
    Py_SET_SIZE(list, n);
    return 0;
}

/* Room in a list without storage, rounded to whole 16 bytes. */
static int list_allocate_exact(PyListObject *list, Py_ssize_t n)
{
    assert(!list->ob_item && n > 0);
    return list_reallocate(list, ((size_t)n + 1) & ~(size_t)1);
}

int list_append_grow_steal(PyListObject *list, PyObject *item)
{
    Py_ssize_t n = Py_SIZE(list);
    if (UNLIKELY(list_resize(list, n + 1) < 0)) {
        Py_DECREF(item);
        return -1;
    }
    list->ob_item[n] = item;
    return 0;
}

/* A list without items and storage, untracked. */
static inline PyListObject *list_alloc(Thread *t)
{
    PyListObject *list = (PyListObject *)gc_alloc(t, &PyList_Type, sizeof(PyListObject), 0);
    if (LIKELY(list)) {
        Py_SET_SIZE(list, 0);
        list->ob_item = NULL;
        list->allocated = 0;
    }
    return list;
}

/* n items uninitialised and the list not tracked: fill and call gc_track. */
static PyListObject *list_alloc_sized(Thread *t, Py_ssize_t n)
{
    PyListObject *list = list_alloc(t);
    if (!list || n == 0) return list;
    list->ob_item = (size_t)n <= (size_t)PY_SSIZE_T_MAX / sizeof(PyObject *) ? PyMem_Malloc((size_t)n * sizeof(PyObject *)) : NULL;
    if (UNLIKELY(!list->ob_item)) {
        gc_free(t, OBJECT(list), 0);
        PyErr_NoMemory();
        return NULL;
    }
    list->allocated = n;
    Py_SET_SIZE(list, n);
    return list;
}

PyObject *PyList_New(Py_ssize_t size)
{
    if (size < 0) {
        PyErr_BadInternalCall();
        return NULL;
    }
    Thread *t = thread_get();
    PyListObject *list = list_alloc_sized(t, size);
    if (!list) return NULL;
    if (size) memset(list->ob_item, 0, (size_t)size * sizeof(PyObject *));
    gc_track(t, OBJECT(list));
    return OBJECT(list);
}

static PyObject *list_from_array(PyObject *const *items, Py_ssize_t n)
{
    Thread *t = thread_get();
    PyListObject *list = list_alloc_sized(t, n);
    if (!list) return NULL;
    for (Py_ssize_t i = 0; i < n; i++) list->ob_item[i] = Py_NewRef(items[i]);
    gc_track(t, OBJECT(list));
    return OBJECT(list);
}

PyObject *list_from_array_steal(PyObject *const *items, Py_ssize_t n)
{
    Thread *t = thread_get();
    PyListObject *list = list_alloc_sized(t, n);
    if (!list) {
        for (Py_ssize_t i = 0; i < n; i++) Py_DECREF(items[i]);
        return NULL;
    }
    if (n) memcpy(list->ob_item, items, (size_t)n * sizeof(PyObject *));
    gc_track(t, OBJECT(list));
    return OBJECT(list);
}

/* ---- PyList_* ------------------------------------------------------------------------------------------------------------ */

#define REQUIRE_LIST(o, failure) do { if (!PyList_Check(o)) { PyErr_BadInternalCall(); return failure; } } while (0)

Py_ssize_t PyList_Size(PyObject *o)
{
    REQUIRE_LIST(o, -1);
    return Py_SIZE(o);
}

PyObject *PyList_GetItem(PyObject *o, Py_ssize_t i)
{
    REQUIRE_LIST(o, NULL);
    if ((size_t)i >= (size_t)Py_SIZE(o)) {
        PyErr_SetString(PyExc_IndexError, "list index out of range");
        return NULL;
    }
    return PyList_GET_ITEM(o, i);
}

PyObject *PyList_GetItemRef(PyObject *o, Py_ssize_t i)
{
    if (!PyList_Check(o)) {
        PyErr_SetString(PyExc_TypeError, "expected a list");
        return NULL;
    }
    return Py_XNewRef(PyList_GetItem(o, i));
}

int PyList_SetItem(PyObject *o, Py_ssize_t i, PyObject *item)
{
    if (!PyList_Check(o)) {
        Py_XDECREF(item);
        PyErr_BadInternalCall();
        return -1;
    }
    if ((size_t)i >= (size_t)Py_SIZE(o)) {
        Py_XDECREF(item);
        PyErr_SetString(PyExc_IndexError, "list assignment index out of range");
        return -1;
    }
    SET_FIELD(((PyListObject *)o)->ob_item[i], item);
    return 0;
}

static int list_insert_at(PyListObject *list, Py_ssize_t where, PyObject *item)
{
    Py_ssize_t n = Py_SIZE(list);
    if (!item) {
        PyErr_BadInternalCall();
        return -1;
    }
    if (list_resize(list, n + 1) < 0) return -1;
    if (where < 0 && (where += n) < 0) where = 0;
    if (where > n) where = n;
    memmove(list->ob_item + where + 1, list->ob_item + where, (size_t)(n - where) * sizeof(PyObject *));
    list->ob_item[where] = Py_NewRef(item);
    return 0;
}

int PyList_Insert(PyObject *o, Py_ssize_t where, PyObject *item)
{
    REQUIRE_LIST(o, -1);
    return list_insert_at((PyListObject *)o, where, item);
}

int PyList_Append(PyObject *o, PyObject *item)
{
    if (!PyList_Check(o) || !item) {
        PyErr_BadInternalCall();
        return -1;
    }
    return list_append_steal((PyListObject *)o, Py_NewRef(item));
}

static void list_empty(PyListObject *list)
{
    PyObject **items = list->ob_item;
    Py_ssize_t n = Py_SIZE(list);
    Py_SET_SIZE(list, 0);
    list->ob_item = NULL;
    list->allocated = 0;
    if (!items) return;
    while (--n >= 0) Py_XDECREF(items[n]);
    PyMem_Free(items);
}

int PyList_Clear(PyObject *o)
{
    REQUIRE_LIST(o, -1);
    list_empty((PyListObject *)o);
    return 0;
}

PyObject *PyList_GetSlice(PyObject *o, Py_ssize_t low, Py_ssize_t high)
{
    REQUIRE_LIST(o, NULL);
    if (low < 0) low = 0;
    if (low > Py_SIZE(o)) low = Py_SIZE(o);
    if (high < low) high = low;
    if (high > Py_SIZE(o)) high = Py_SIZE(o);
    return list_from_array(((PyListObject *)o)->ob_item + low, high - low);
}

/* list[low:high] = source; NULL deletes. The message is for what is not iterable. */
static int list_assign_slice(PyListObject *list, Py_ssize_t low, Py_ssize_t high, PyObject *source, const char *message)
{
    PyObject *fast = NULL, **from = NULL, **kept = NULL;
    Py_ssize_t n = 0;
    if (source) {
        fast = OBJECT(list) == source ? list_from_array(list->ob_item, Py_SIZE(list))
                                      : PySequence_Fast(source, message);
        if (!fast) return -1;
        n = PySequence_Fast_GET_SIZE(fast);
        from = PySequence_Fast_ITEMS(fast);
    }
    Py_ssize_t size = Py_SIZE(list);
    if (low < 0) low = 0;
    if (low > size) low = size;
    if (high < low) high = low;
    if (high > size) high = size;
    Py_ssize_t removed = high - low, grow = n - removed;
    int status = -1;
    if (size + grow == 0) {
        Py_XDECREF(fast);
        list_empty(list);
        return 0;
    }
    if (removed) {                                         /* what goes is set aside and released at the end */
        if (!(kept = PyMem_Malloc((size_t)removed * sizeof(PyObject *)))) {
            PyErr_NoMemory();
            goto done;
        }
        memcpy(kept, list->ob_item + low, (size_t)removed * sizeof(PyObject *));
    }
    if (grow < 0) {
        memmove(list->ob_item + high + grow, list->ob_item + high, (size_t)(size - high) * sizeof(PyObject *));
        Py_SET_SIZE(list, size + grow);
        if (list_resize(list, size + grow) < 0) PyErr_Clear();       /* it stays larger than it need be */
    }
    else if (grow > 0) {
        if (list_resize(list, size + grow) < 0) {
            removed = 0;
            goto done;
        }
        memmove(list->ob_item + high + grow, list->ob_item + high, (size_t)(size - high) * sizeof(PyObject *));
    }
    for (Py_ssize_t i = 0; i < n; i++) list->ob_item[low + i] = Py_XNewRef(from[i]);
    for (Py_ssize_t i = removed; --i >= 0;) Py_XDECREF(kept[i]);
    status = 0;
done:
    PyMem_Free(kept);
    Py_XDECREF(fast);
    return status;
}

int PyList_SetSlice(PyObject *o, Py_ssize_t low, Py_ssize_t high, PyObject *source)
{
    REQUIRE_LIST(o, -1);
    return list_assign_slice((PyListObject *)o, low, high, source, "can only assign an iterable");
}

static void reverse_array(PyObject **low, PyObject **high)
{
    for (--high; low < high; low++, high--) {
        PyObject *swap = *low;
        *low = *high;
        *high = swap;
    }
}

int PyList_Reverse(PyObject *o)
{
    if (!o || !PyList_Check(o)) {
        PyErr_BadInternalCall();
        return -1;
    }
    if (Py_SIZE(o) > 1) reverse_array(((PyListObject *)o)->ob_item, ((PyListObject *)o)->ob_item + Py_SIZE(o));
    return 0;
}

PyObject *PyList_AsTuple(PyObject *o)
{
    if (!o || !PyList_Check(o)) {
        PyErr_BadInternalCall();
        return NULL;
    }
    return tuple_from_array(((PyListObject *)o)->ob_item, Py_SIZE(o));
}

/* ---- extend --------------------------------------------------------------------------------------------------------------- */

/* Room for n more. The size is not changed. */
static int list_make_room(PyListObject *list, Py_ssize_t n)
{
    Py_ssize_t size = Py_SIZE(list);
    if (n > PY_SSIZE_T_MAX - size) {
        PyErr_NoMemory();
        return -1;
    }
    if (list_resize(list, size + n) < 0) return -1;
    Py_SET_SIZE(list, size);
    return 0;
}

static int list_extend_sequence(PyListObject *list, PyObject *source)
{
    Py_ssize_t n = PySequence_Fast_GET_SIZE(source), size = Py_SIZE(list);
    if (n == 0) return 0;
    if (!list->ob_item ? list_allocate_exact(list, n) < 0 : list_make_room(list, n) < 0) return -1;
    PyObject **from = PySequence_Fast_ITEMS(source), **to = list->ob_item + size;      /* source may be the list itself */
    for (Py_ssize_t i = 0; i < n; i++) to[i] = Py_NewRef(from[i]);
    Py_SET_SIZE(list, size + n);
    return 0;
}

/* Nothing can run meanwhile, so the size is known. part: 0 keys, 1 values. */
static int list_extend_dict(PyListObject *list, PyDictObject *d, int part)
{
    PyObject **e;
    Py_ssize_t n = Py_SIZE(list);
    if (d->ma_used == 0) return 0;
    if (list_make_room(list, d->ma_used) < 0) return -1;
    for (Py_ssize_t at = 0; keys_next(d->ma_keys, &at, &e);) list->ob_item[n++] = Py_NewRef(e[part]);
    Py_SET_SIZE(list, n);
    return 0;
}

static int list_extend_set(PyListObject *list, PyObject *o)
{
    PySetObject *set = (PySetObject *)o;
    Py_ssize_t n = Py_SIZE(list);
    if (set->used == 0) return 0;
    if (list_make_room(list, set->used) < 0) return -1;
    for (setentry *e = set->table, *end = e + set->mask + 1; e < end; e++)
        if (e->key && e->hash != -1) list->ob_item[n++] = Py_NewRef(e->key);
    Py_SET_SIZE(list, n);
    return 0;
}

static int list_extend_iterator(PyListObject *list, PyObject *iterable)
{
    PyObject *it = PyObject_GetIter(iterable);
    if (!it) return -1;
    int status = -1;
    iternextfunc next = Py_TYPE(it)->tp_iternext;
    Py_ssize_t hint = PyObject_LengthHint(iterable, 8);
    if (hint < 0) goto done;
    if (hint > PY_SSIZE_T_MAX - Py_SIZE(list)) hint = 0;   /* hope that the hint is wrong */
    if (hint && (!list->ob_item ? list_allocate_exact(list, hint) < 0 : list_make_room(list, hint) < 0)) goto done;
    for (;;) {
        PyObject *item = next(it);
        if (!item) {
            if (iteration_ended() < 0) goto done;
            break;
        }
        if (list_append_steal(list, item) < 0) goto done;
    }
    if (Py_SIZE(list) < list->allocated && list_resize(list, Py_SIZE(list)) < 0) goto done;
    status = 0;
done:
    Py_DECREF(it);
    return status;
}

static int list_extend_by(PyListObject *list, PyObject *iterable)
{
    if (PyList_CheckExact(iterable) || PyTuple_CheckExact(iterable) || iterable == OBJECT(list))
        return list_extend_sequence(list, iterable);
    if (PyAnySet_CheckExact(iterable)) return list_extend_set(list, iterable);
    if (PyDict_CheckExact(iterable)) return list_extend_dict(list, (PyDictObject *)iterable, 0);
    return list_extend_iterator(list, iterable);
}

int PyList_Extend(PyObject *o, PyObject *iterable)
{
    REQUIRE_LIST(o, -1);
    return list_extend_by((PyListObject *)o, iterable);
}

/* ---- life ------------------------------------------------------------------------------------------------------------------ */

static void list_dealloc(PyObject *o)
{
    PyListObject *list = (PyListObject *)o;
    Thread *t = thread_get();
    uint8_t *state = slot_state(o);
    if (*state & SLOT_TRACKED) gc_untrack_at(t, o, state);
    if (list->ob_item) {
        for (Py_ssize_t i = Py_SIZE(list); --i >= 0;) Py_XDECREF(list->ob_item[i]);
        PyMem_Free(list->ob_item);
    }
    if (LIKELY(PyList_CheckExact(o))) gc_free_at(t, o, 0, state);
    else Py_TYPE(o)->tp_free(o);
}

static int list_traverse(PyObject *o, visitproc visit, void *arg)
{
    PyListObject *list = (PyListObject *)o;
    for (Py_ssize_t i = Py_SIZE(o); --i >= 0;) Py_VISIT(list->ob_item[i]);
    return 0;
}

static int list_tp_clear(PyObject *o)
{
    list_empty((PyListObject *)o);
    return 0;
}

SIGNATURE(list_init_signature, "list", POSITIONAL, "(iterable=(), /)");

static int list_fill(PyObject *self, PyObject *iterable)
{
    if (((PyListObject *)self)->ob_item) list_empty((PyListObject *)self);
    return iterable ? list_extend_by((PyListObject *)self, iterable) : 0;
}

static int list_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    PyObject *arg[1];
    if (Py_TYPE(self) != &PyList_Type && Py_TYPE(self)->tp_new != PyList_Type.tp_new) kwargs = NULL;
    if (args_bind_tuple(&list_init_signature, args, kwargs && PyDict_GET_SIZE(kwargs) ? kwargs : NULL, arg) < 0) return -1;
    return list_fill(self, arg[0]);
}

static PyObject *list_new_empty(PyTypeObject *type)
{
    if (type != &PyList_Type) return type->tp_alloc(type, 0);
    return PyList_New(0);
}

static PyObject *list_new(PyTypeObject *type, PyObject *Py_UNUSED(args), PyObject *Py_UNUSED(kwargs)) { return list_new_empty(type); }

static PyObject *list_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    PyObject *arg[1];
    if (args_bind(&list_init_signature, args, PyVectorcall_NARGS(nargsf), kwnames && PyTuple_GET_SIZE(kwnames) ? kwnames : NULL, arg) < 0)
        return NULL;
    PyObject *list = list_new_empty((PyTypeObject *)type);
    if (list && list_fill(list, arg[0]) < 0) Py_CLEAR(list);
    return list;
}

/* ---- slots ----------------------------------------------------------------------------------------------------------------- */

static PyObject *list_repr(PyObject *o)
{
    if (Py_SIZE(o) == 0) return PyUnicode_FromString("[]");
    int entered = Py_ReprEnter(o);
    if (entered) return entered > 0 ? PyUnicode_FromString("[...]") : NULL;
    _PyUnicodeWriter w;
    _PyUnicodeWriter_Init(&w);
    w.overallocate = 1;
    w.min_length = 1 + 1 + (2 + 1) * (Py_SIZE(o) - 1) + 1;
    if (_PyUnicodeWriter_WriteASCIIString(&w, "[", 1) < 0) goto fail;
    for (Py_ssize_t i = 0; i < Py_SIZE(o); i++) {
        if (i > 0 && _PyUnicodeWriter_WriteASCIIString(&w, ", ", 2) < 0) goto fail;
        PyObject *item = Py_NewRef(PyList_GET_ITEM(o, i)), *text = PyObject_Repr(item);
        Py_DECREF(item);
        if (!text) goto fail;
        int status = _PyUnicodeWriter_WriteStr(&w, text);
        Py_DECREF(text);
        if (status < 0) goto fail;
    }
    if (_PyUnicodeWriter_WriteASCIIString(&w, "]", 1) < 0) goto fail;
    Py_ReprLeave(o);
    return _PyUnicodeWriter_Finish(&w);
fail:
    _PyUnicodeWriter_Dealloc(&w);
    Py_ReprLeave(o);
    return NULL;
}

static Py_ssize_t list_length(PyObject *o) { return Py_SIZE(o); }

static int list_contains(PyObject *o, PyObject *value)
{
    int same = 0;
    for (Py_ssize_t i = 0; !same && i < Py_SIZE(o); i++) same = object_equal(PyList_GET_ITEM(o, i), value);
    return same;
}

static PyObject *list_item(PyObject *o, Py_ssize_t i)
{
    if (UNLIKELY((size_t)i >= (size_t)Py_SIZE(o))) {
        PyErr_SetString(PyExc_IndexError, "list index out of range");
        return NULL;
    }
    return Py_NewRef(PyList_GET_ITEM(o, i));
}

static PyObject *list_concat(PyObject *a, PyObject *b)
{
    if (!PyList_Check(b)) {
        PyErr_Format(PyExc_TypeError, "can only concatenate list (not \"%.200s\") to list", Py_TYPE(b)->tp_name);
        return NULL;
    }
    Py_ssize_t n = Py_SIZE(a), m = Py_SIZE(b);
    if (n > PY_SSIZE_T_MAX - m) return PyErr_NoMemory();
    Thread *t = thread_get();
    PyListObject *list = list_alloc_sized(t, n + m);
    if (!list) return NULL;
    for (Py_ssize_t i = 0; i < n; i++) list->ob_item[i] = Py_NewRef(PyList_GET_ITEM(a, i));
    for (Py_ssize_t i = 0; i < m; i++) list->ob_item[n + i] = Py_NewRef(PyList_GET_ITEM(b, i));
    gc_track(t, OBJECT(list));
    return OBJECT(list);
}

static PyObject *list_repeat(PyObject *o, Py_ssize_t times)
{
    Py_ssize_t n = Py_SIZE(o);
    if (n == 0 || times <= 0) return PyList_New(0);
    if (n > PY_SSIZE_T_MAX / times) return PyErr_NoMemory();
    Thread *t = thread_get();
    PyListObject *list = list_alloc_sized(t, n * times);
    if (!list) return NULL;
    items_repeat(list->ob_item, ((PyListObject *)o)->ob_item, n, times);
    gc_track(t, OBJECT(list));
    return OBJECT(list);
}

static PyObject *list_inplace_repeat(PyObject *o, Py_ssize_t times)
{
    PyListObject *list = (PyListObject *)o;
    Py_ssize_t n = Py_SIZE(list);
    if (n == 0 || times == 1) return Py_NewRef(o);
    if (times < 1) {
        list_empty(list);
        return Py_NewRef(o);
    }
    if (n > PY_SSIZE_T_MAX / times) return PyErr_NoMemory();
    if (list_resize(list, n * times) < 0) return NULL;
    for (Py_ssize_t i = n; i < n * times; i++) list->ob_item[i] = Py_NewRef(list->ob_item[i - n]);
    return Py_NewRef(o);
}

static PyObject *list_inplace_concat(PyObject *o, PyObject *other)
{
    return list_extend_by((PyListObject *)o, other) < 0 ? NULL : Py_NewRef(o);
}

static int list_ass_item(PyObject *o, Py_ssize_t i, PyObject *value)
{
    PyListObject *list = (PyListObject *)o;
    if ((size_t)i >= (size_t)Py_SIZE(o)) {
        PyErr_SetString(PyExc_IndexError, "list assignment index out of range");
        return -1;
    }
    if (!value) return list_assign_slice(list, i, i + 1, NULL, NULL);
    SET_FIELD(list->ob_item[i], Py_NewRef(value));
    return 0;
}

static COLD int wrong_index(PyObject *index)
{
    PyErr_Format(PyExc_TypeError, "list indices must be integers or slices, not %.200s", Py_TYPE(index)->tp_name);
    return -1;
}

static PyObject *list_subscript(PyObject *o, PyObject *index)
{
    if (PyIndex_Check(index)) {
        Py_ssize_t i = PyNumber_AsSsize_t(index, PyExc_IndexError);
        if (i == -1 && PyErr_Occurred()) return NULL;
        return list_item(o, i < 0 ? i + Py_SIZE(o) : i);
    }
    if (!PySlice_Check(index)) {
        wrong_index(index);
        return NULL;
    }
    Py_ssize_t start, stop, step;
    if (PySlice_Unpack(index, &start, &stop, &step) < 0) return NULL;
    Py_ssize_t n = PySlice_AdjustIndices(Py_SIZE(o), &start, &stop, step);
    if (n <= 0) return PyList_New(0);
    Thread *t = thread_get();
    PyListObject *list = list_alloc_sized(t, n);
    if (!list) return NULL;
    for (Py_ssize_t i = 0; i < n; i++, start += step) list->ob_item[i] = Py_NewRef(PyList_GET_ITEM(o, start));
    gc_track(t, OBJECT(list));
    return OBJECT(list);
}

static int delete_steps(PyListObject *list, Py_ssize_t start, Py_ssize_t step, Py_ssize_t n)
{
    if (n <= 0) return 0;
    if (step < 0) {
        start += step * (n - 1);
        step = -step;
    }
    PyObject **gone = PyMem_Malloc((size_t)n * sizeof(PyObject *));
    if (!gone) {
        PyErr_NoMemory();
        return -1;
    }
    Py_ssize_t size = Py_SIZE(list), to = start;
    for (Py_ssize_t i = 0, from = start; i < n; i++) {     /* what stands between two that go moves to the left */
        gone[i] = list->ob_item[from++];
        Py_ssize_t end = i + 1 < n ? from + step - 1 : size;
        memmove(list->ob_item + to, list->ob_item + from, (size_t)(end - from) * sizeof(PyObject *));
        to += end - from;
        from = end;
    }
    Py_SET_SIZE(list, size - n);
    if (list_resize(list, size - n) < 0) PyErr_Clear();
    for (Py_ssize_t i = 0; i < n; i++) Py_DECREF(gone[i]);
    PyMem_Free(gone);
    return 0;
}

static int assign_steps(PyListObject *list, PyObject *value, Py_ssize_t start, Py_ssize_t stop, Py_ssize_t step)
{
    PyObject *fast = OBJECT(list) == value ? list_from_array(list->ob_item, Py_SIZE(list))
                                           : PySequence_Fast(value, "must assign iterable to extended slice");
    if (!fast) return -1;
    int status = -1;
    Py_ssize_t n = PySlice_AdjustIndices(Py_SIZE(list), &start, &stop, step);      /* iterating may have changed the list */
    PyObject **gone = NULL;
    if (PySequence_Fast_GET_SIZE(fast) != n) {
        PyErr_Format(PyExc_ValueError, "attempt to assign sequence of size %zd to extended slice of size %zd",
                     PySequence_Fast_GET_SIZE(fast), n);
        goto done;
    }
    status = 0;
    if (n == 0) goto done;
    if (!(gone = PyMem_Malloc((size_t)n * sizeof(PyObject *)))) {
        PyErr_NoMemory();
        status = -1;
        goto done;
    }
    for (Py_ssize_t i = 0; i < n; i++, start += step) {
        gone[i] = list->ob_item[start];
        list->ob_item[start] = Py_NewRef(PySequence_Fast_GET_ITEM(fast, i));
    }
    for (Py_ssize_t i = 0; i < n; i++) Py_DECREF(gone[i]);
done:
    PyMem_Free(gone);
    Py_DECREF(fast);
    return status;
}

static int list_ass_subscript(PyObject *o, PyObject *index, PyObject *value)
{
    PyListObject *list = (PyListObject *)o;
    if (PyIndex_Check(index)) {
        Py_ssize_t i = PyNumber_AsSsize_t(index, PyExc_IndexError);
        if (i == -1 && PyErr_Occurred()) return -1;
        return list_ass_item(o, i < 0 ? i + Py_SIZE(o) : i, value);
    }
    if (!PySlice_Check(index)) return wrong_index(index);
    Py_ssize_t start, stop, step, raw_start, raw_stop;
    if (PySlice_Unpack(index, &raw_start, &raw_stop, &step) < 0) return -1;
    start = raw_start;
    stop = raw_stop;
    Py_ssize_t n = PySlice_AdjustIndices(Py_SIZE(o), &start, &stop, step);
    if (step == 1) return list_assign_slice(list, start, stop, value, "must assign iterable to extended slice");
    if (!value) return delete_steps(list, start, step, n);
    return assign_steps(list, value, raw_start, raw_stop, step);
}

static PyObject *list_richcompare(PyObject *a, PyObject *b, int op)
{
    if (!PyList_Check(a) || !PyList_Check(b)) Py_RETURN_NOTIMPLEMENTED;
    if (Py_SIZE(a) != Py_SIZE(b) && (op == Py_EQ || op == Py_NE)) return PyBool_FromLong(op == Py_NE);
    for (Py_ssize_t i = 0; i < Py_SIZE(a) && i < Py_SIZE(b); i++) {
        PyObject *x = PyList_GET_ITEM(a, i), *y = PyList_GET_ITEM(b, i);
        if (x == y) continue;
        int same = object_equal(x, y);
        if (same < 0) return NULL;
        if (same) continue;
        if (i >= Py_SIZE(a) || i >= Py_SIZE(b)) break;     /* the comparison shortened them */
        if (op == Py_EQ) Py_RETURN_FALSE;
        if (op == Py_NE) Py_RETURN_TRUE;
        x = Py_NewRef(PyList_GET_ITEM(a, i));
        y = Py_NewRef(PyList_GET_ITEM(b, i));
        PyObject *result = PyObject_RichCompare(x, y, op);
        Py_DECREF(x);
        Py_DECREF(y);
        return result;
    }
    Py_RETURN_RICHCOMPARE(Py_SIZE(a), Py_SIZE(b), op);
}

/* ---- methods ----------------------------------------------------------------------------------------------------------------- */

BUILTIN_O(list, __getitem__, "($self, index, /)", "Return self[index].") { return list_subscript(self, arg); }

BUILTIN_O(list, append, "($self, object, /)", "Append object to the end of the list.")
{
    return list_append_steal((PyListObject *)self, Py_NewRef(arg)) < 0 ? NULL : Py_None;
}

BUILTIN(list, insert, POSITIONAL, "($self, index, object, /)", "Insert object before index.")
{
    Py_ssize_t where = PyNumber_AsSsize_t(arg[0], PyExc_OverflowError);
    if (where == -1 && PyErr_Occurred()) return NULL;
    return list_insert_at((PyListObject *)self, where, arg[1]) < 0 ? NULL : Py_None;
}

BUILTIN_O(list, extend, "($self, iterable, /)", "Extend list by appending elements from the iterable.")
{
    return list_extend_by((PyListObject *)self, arg) < 0 ? NULL : Py_None;
}

BUILTIN_NOARGS(list, clear, "($self, /)", "Remove all items from list.")
{
    list_empty((PyListObject *)self);
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(list, copy, "($self, /)", "Return a shallow copy of the list.")
{
    return list_from_array(((PyListObject *)self)->ob_item, Py_SIZE(self));
}

BUILTIN(list, pop, POSITIONAL, "($self, index=-1, /)",
        "Remove and return item at index (default last).\n\nRaises IndexError if list is empty or index is out of range.")
{
    PyListObject *list = (PyListObject *)self;
    Py_ssize_t i = -1, n;
    if (arg[0]) {
        i = PyNumber_AsSsize_t(arg[0], PyExc_OverflowError);
        if (i == -1 && PyErr_Occurred()) return NULL;
    }
    if (!(n = Py_SIZE(list))) {
        PyErr_SetString(PyExc_IndexError, "pop from empty list");
        return NULL;
    }
    if (i < 0) i += n;
    if ((size_t)i >= (size_t)n) {
        PyErr_SetString(PyExc_IndexError, "pop index out of range");
        return NULL;
    }
    PyObject *item = list->ob_item[i];
    memmove(list->ob_item + i, list->ob_item + i + 1, (size_t)(n - 1 - i) * sizeof(PyObject *));
    Py_SET_SIZE(list, n - 1);
    if (list_resize(list, n - 1) < 0) PyErr_Clear();       /* shrinking is a courtesy */
    return item;
}

BUILTIN_O(list, remove, "($self, value, /)", "Remove first occurrence of value.\n\nRaises ValueError if the value is not present.")
{
    for (Py_ssize_t i = 0; i < Py_SIZE(self); i++) {
        int same = object_equal(PyList_GET_ITEM(self, i), arg);
        if (same < 0) return NULL;
        if (same) return list_assign_slice((PyListObject *)self, i, i + 1, NULL, NULL) < 0 ? NULL : Py_None;
    }
    PyErr_SetString(PyExc_ValueError, "list.remove(x): x not in list");
    return NULL;
}

BUILTIN(list, index, POSITIONAL, "($self, value, start=0, stop=sys.maxsize, /)",
        "Return first index of value.\n\nRaises ValueError if the value is not present.")
{
    Py_ssize_t start = 0, stop = PY_SSIZE_T_MAX;
    if (arg[1] && !_PyEval_SliceIndexNotNone(arg[1], &start)) return NULL;
    if (arg[2] && !_PyEval_SliceIndexNotNone(arg[2], &stop)) return NULL;
    if (start < 0 && (start += Py_SIZE(self)) < 0) start = 0;
    if (stop < 0 && (stop += Py_SIZE(self)) < 0) stop = 0;
    for (Py_ssize_t i = start; i < stop && i < Py_SIZE(self); i++) {
        int same = object_equal(PyList_GET_ITEM(self, i), arg[0]);
        if (same) return same > 0 ? PyLong_FromSsize_t(i) : NULL;
    }
    PyErr_Format(PyExc_ValueError, "%R is not in list", arg[0]);
    return NULL;
}

BUILTIN_O(list, count, "($self, value, /)", "Return number of occurrences of value.")
{
    Py_ssize_t count = 0;
    for (Py_ssize_t i = 0; i < Py_SIZE(self); i++) {
        int same = object_equal(PyList_GET_ITEM(self, i), arg);
        if (same < 0) return NULL;
        count += same;
    }
    return PyLong_FromSsize_t(count);
}

BUILTIN_NOARGS(list, reverse, "($self, /)", "Reverse *IN PLACE*.")
{
    PyList_Reverse(self);
    Py_RETURN_NONE;
}

int list_sort_in_place(PyListObject *list, PyObject *key, bool reverse);

BUILTIN(list, sort, KEYWORDS, "($self, /, *, key=None, reverse=False)",
        "Sort the list in ascending order and return None.\n\nThe sort is in-place and stable. With key, its result for each item is\n"
        "what is compared; with reverse true the order is descending.")
{
    int reverse = arg[1] ? PyObject_IsTrue(arg[1]) : 0;
    if (reverse < 0) return NULL;
    return list_sort_in_place((PyListObject *)self, arg[0] == Py_None ? NULL : arg[0], reverse) < 0 ? NULL : Py_None;
}

int PyList_Sort(PyObject *o)
{
    if (!o || !PyList_Check(o)) {
        PyErr_BadInternalCall();
        return -1;
    }
    return list_sort_in_place((PyListObject *)o, NULL, false);
}

BUILTIN_NOARGS(list, __sizeof__, "($self, /)", "Return the size of the list in memory, in bytes.")
{
    Py_ssize_t allocated = ((PyListObject *)self)->allocated;
    return PyLong_FromSsize_t(Py_TYPE(self)->tp_basicsize + (allocated > 0 ? allocated : 0) * (Py_ssize_t)sizeof(PyObject *));
}

/* ---- iterators --------------------------------------------------------------------------------------------------------------- */

static PyObject *listiter_new(PyTypeObject *type, PyObject *list, Py_ssize_t index)
{
    Thread *t = thread_get();
    ListIterator *it = (ListIterator *)gc_alloc(t, type, sizeof(ListIterator), 0);
    if (!it) return NULL;
    it->index = index;
    it->sequence = Py_NewRef(list);
    gc_track(t, OBJECT(it));
    return OBJECT(it);
}

static PyObject *list_iter(PyObject *o) { return listiter_new(&PyListIter_Type, o, 0); }

BUILTIN_NOARGS(list, __reversed__, "($self, /)", "Return a reverse iterator over the list.")
{
    return listiter_new(&PyListRevIter_Type, self, Py_SIZE(self) - 1);
}

static void listiter_dealloc(PyObject *o)
{
    Thread *t = thread_get();
    gc_untrack(t, o);
    Py_XDECREF(((ListIterator *)o)->sequence);
    gc_free(t, o, 0);
}

static int listiter_traverse(PyObject *o, visitproc visit, void *arg)
{
    Py_VISIT(((ListIterator *)o)->sequence);
    return 0;
}

static PyObject *listiter_next(PyObject *o)
{
    ListIterator *it = (ListIterator *)o;
    PyObject *list = it->sequence;
    if (UNLIKELY(!list)) return NULL;
    if (LIKELY(it->index < Py_SIZE(list))) return Py_NewRef(((PyListObject *)list)->ob_item[it->index++]);
    it->sequence = NULL;
    it->index = -1;
    Py_DECREF(list);
    return NULL;
}

static PyObject *listreviter_next(PyObject *o)
{
    ListIterator *it = (ListIterator *)o;
    PyObject *list = it->sequence;
    if (!list) return NULL;
    if (it->index >= 0 && it->index < Py_SIZE(list)) return Py_NewRef(((PyListObject *)list)->ob_item[it->index--]);
    it->sequence = NULL;
    it->index = -1;
    Py_DECREF(list);
    return NULL;
}

BUILTIN_NOARGS(listiter, __length_hint__, "($self, /)", "Private method returning an estimate of len(list(it)).")
{
    ListIterator *it = (ListIterator *)self;
    Py_ssize_t left = it->sequence ? Py_SIZE(it->sequence) - it->index : 0;
    return PyLong_FromSsize_t(left < 0 ? 0 : left);
}

BUILTIN_NOARGS(listreviter, __length_hint__, "($self, /)", "Private method returning an estimate of len(list(it)).")
{
    ListIterator *it = (ListIterator *)self;
    Py_ssize_t left = it->index + 1;
    return PyLong_FromSsize_t(!it->sequence || Py_SIZE(it->sequence) < left ? 0 : left);
}

/* builtin_get may run code that exhausts the iterator: it comes first. */
static PyObject *listiter_reduce_with(PyObject *self, const char *function)
{
    ListIterator *it = (ListIterator *)self;
    PyObject *f = builtin_get(function);
    if (!f) return NULL;
    if (it->sequence && it->index >= 0) return Py_BuildValue("N(O)n", f, it->sequence, it->index);
    return Py_BuildValue("N([])", f);
}

BUILTIN_NOARGS(listiter, __reduce__, "($self, /)", "Return state information for pickling.") { return listiter_reduce_with(self, "iter"); }
BUILTIN_NOARGS(listreviter, __reduce__, "($self, /)", "Return state information for pickling.")
{
    return listiter_reduce_with(self, "reversed");
}

BUILTIN_O(listiter, __setstate__, "($self, object, /)", "Set state information for unpickling.")
{
    ListIterator *it = (ListIterator *)self;
    Py_ssize_t index = PyLong_AsSsize_t(arg);
    if (index == -1 && PyErr_Occurred()) return NULL;
    if (it->sequence) it->index = index < -1 ? -1 : index > Py_SIZE(it->sequence) ? Py_SIZE(it->sequence) : index < 0 ? 0 : index;
    Py_RETURN_NONE;
}

BUILTIN_O(listreviter, __setstate__, "($self, object, /)", "Set state information for unpickling.")
{
    ListIterator *it = (ListIterator *)self;
    Py_ssize_t index = PyLong_AsSsize_t(arg);
    if (index == -1 && PyErr_Occurred()) return NULL;
    if (it->sequence) it->index = index < -1 ? -1 : index > Py_SIZE(it->sequence) - 1 ? Py_SIZE(it->sequence) - 1 : index;
    Py_RETURN_NONE;
}

static PyMethodDef listiter_methods[] = {
    METHOD(listiter, __length_hint__), METHOD(listiter, __reduce__), METHOD(listiter, __setstate__), { 0 },
};
static PyMethodDef listreviter_methods[] = {
    METHOD(listreviter, __length_hint__), METHOD(listreviter, __reduce__), METHOD(listreviter, __setstate__), { 0 },
};

#define ITERATOR_TYPE(variable, shown, next, methods)                          \
    PyTypeObject variable = {                                                  \
        PyVarObject_HEAD_INIT(&PyType_Type, 0)                                 \
        .tp_name = shown,                                                      \
        .tp_basicsize = sizeof(ListIterator),                                  \
        .tp_dealloc = listiter_dealloc,                                        \
        .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,                   \
        .tp_traverse = listiter_traverse,                                      \
        .tp_iter = PyObject_SelfIter,                                          \
        .tp_iternext = next,                                                   \
        .tp_methods = methods,                                                 \
    }
ITERATOR_TYPE(PyListIter_Type, "list_iterator", listiter_next, listiter_methods);
ITERATOR_TYPE(PyListRevIter_Type, "list_reverseiterator", listreviter_next, listreviter_methods);

/* ---- the type ---------------------------------------------------------------------------------------------------------------- */

static PyMethodDef list_methods[] = {
    METHOD_COEXIST(list, __getitem__), METHOD(list, __reversed__), METHOD(list, __sizeof__), METHOD(list, clear),
    METHOD(list, copy), METHOD(list, append), METHOD(list, insert), METHOD(list, extend), METHOD(list, pop), METHOD(list, remove),
    METHOD(list, index), METHOD(list, count), METHOD(list, reverse), METHOD(list, sort), CLASS_GETITEM, { 0 },
};

static PySequenceMethods list_as_sequence = {
    .sq_length = list_length, .sq_concat = list_concat, .sq_repeat = list_repeat, .sq_item = list_item, .sq_ass_item = list_ass_item,
    .sq_contains = list_contains, .sq_inplace_concat = list_inplace_concat, .sq_inplace_repeat = list_inplace_repeat,
};
static PyMappingMethods list_as_mapping = { .mp_length = list_length, .mp_subscript = list_subscript, .mp_ass_subscript = list_ass_subscript };

PyTypeObject PyList_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "list",
    .tp_basicsize = sizeof(PyListObject),
    .tp_dealloc = list_dealloc,
    .tp_repr = list_repr,
    .tp_as_sequence = &list_as_sequence,
    .tp_as_mapping = &list_as_mapping,
    .tp_hash = PyObject_HashNotImplemented,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_LIST_SUBCLASS | _Py_TPFLAGS_MATCH_SELF |
                Py_TPFLAGS_SEQUENCE,
    .tp_doc = "list(iterable=(), /)\n--\n\nBuilt-in mutable sequence.\n\n"
              "Without an argument a new empty list; otherwise a list of what the iterable\nyields.",
    .tp_traverse = list_traverse,
    .tp_clear = list_tp_clear,
    .tp_richcompare = list_richcompare,
    .tp_iter = list_iter,
    .tp_methods = list_methods,
    .tp_init = list_init,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = list_new,
    .tp_free = PyObject_GC_Del,
    .tp_vectorcall = list_vectorcall,
};
