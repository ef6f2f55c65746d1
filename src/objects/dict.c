/* dict: PyDict_* functions. The type and its methods are in dict_type.c, the table in dict_table.c, views in dict_views.c. */
#include "objects/dict_private.h"

#include "runtime/errors.h"

/* ---- creation ------------------------------------------------------------------------------------------------------ */

static inline PyObject *dict_alloc(Thread *t, DictKeys *keys, Py_ssize_t used)
{
    PyDictObject *d = (PyDictObject *)gc_alloc(t, &PyDict_Type, sizeof(PyDictObject), 0);
    if (UNLIKELY(!d)) {
        keys_destroy(keys);
        return NULL;
    }
    d->ma_used = used;
    *dict_tag(d) = t->ts.interp->objects.dicts.version += 1 << 12;
    d->ma_keys = keys;
    d->ma_values = NULL;
    return OBJECT(d);
}

PyObject *PyDict_New(void) { return dict_alloc(thread_get(), (DictKeys *)&dict_empty_keys, 0); }

static PyObject *dict_new_sized(Thread *t, Py_ssize_t n, unsigned stride)
{
    DictKeys *k = n ? keys_new_for(t, n, stride) : (DictKeys *)&dict_empty_keys;
    return k ? dict_alloc(t, k, 0) : NULL;
}

PyObject *_PyDict_NewPresized(Py_ssize_t minused)
{
    enum { LARGEST_GUESS = 1 << 17 };                      /* a wrong guess must not cost gigabytes */
    return dict_new_sized(thread_get(), minused > LARGEST_GUESS ? LARGEST_GUESS : minused, DICT_STR_STRIDE);
}

PyObject *dict_from_items(PyObject *const *keys, Py_ssize_t key_stride, PyObject *const *values, Py_ssize_t value_stride, Py_ssize_t n)
{
    Thread *t = thread_get();
    unsigned stride = DICT_STR_STRIDE;
    for (Py_ssize_t i = 0; i < n && stride == DICT_STR_STRIDE; i++)
        if (!dict_is_str(keys[i * key_stride])) stride = DICT_GENERAL_STRIDE;
    PyObject *d = dict_new_sized(t, n, stride);
    if (!d) return NULL;
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *key = keys[i * key_stride];
        Py_hash_t hash = key_hash(key);
        if (hash == -1 || dict_set_known_hash((PyDictObject *)d, key, hash, values[i * value_stride]) < 0) {
            Py_DECREF(d);
            return NULL;
        }
    }
    return d;
}

/* ---- lookup -------------------------------------------------------------------------------------------------------- */

PyObject *_PyDict_GetItem_KnownHash(PyObject *d, PyObject *key, Py_hash_t hash)
{
    PyObject *value;
    if (!PyDict_Check(d)) {
        PyErr_BadInternalCall();
        return NULL;
    }
    (void)dict_find((PyDictObject *)d, key, hash, &value);
    return value;
}

PyObject *PyDict_GetItemWithError(PyObject *d, PyObject *key)
{
    if (!PyDict_Check(d)) {
        PyErr_BadInternalCall();
        return NULL;
    }
    if (LIKELY(dict_is_str(key))) return dict_get_str((PyDictObject *)d, key);
    Py_hash_t hash = PyObject_Hash(key);
    PyObject *value;
    if (hash == -1) return NULL;
    (void)dict_find((PyDictObject *)d, key, hash, &value);
    return value;
}

/* The lookup that hides every error, its caller's pending exception kept. Borrowed. */
static PyObject *get_item_quiet(PyObject *d, PyObject *key, const char *complaint)
{
    PyObject *value = NULL;
    if (!PyDict_Check(d)) return NULL;
    PyObject *pending = PyErr_GetRaisedException();
    Py_hash_t hash = key_hash(key);
    if (hash != -1) (void)dict_find((PyDictObject *)d, key, hash, &value);
    if (UNLIKELY(!value && PyErr_Occurred())) PyErr_FormatUnraisable(complaint);
    PyErr_SetRaisedException(pending);
    return value;
}

PyObject *PyDict_GetItem(PyObject *d, PyObject *key)
{
    return get_item_quiet(d, key, "Exception ignored in PyDict_GetItem(); consider using PyDict_GetItemRef() or "
                                  "PyDict_GetItemWithError()");
}

PyObject *PyDict_GetItemString(PyObject *d, const char *key)
{
    PyObject *name = PyUnicode_FromString(key);
    if (!name) {
        PyErr_FormatUnraisable("Exception ignored in PyDict_GetItemString(); consider using PyDict_GetItemRefString()");
        return NULL;
    }
    PyObject *value = get_item_quiet(d, name, "Exception ignored in PyDict_GetItemString(); consider using "
                                              "PyDict_GetItemRefString()");
    Py_DECREF(name);
    return value;
}

PyObject *_PyDict_GetItemStringWithError(PyObject *d, const char *key)
{
    PyObject *name = PyUnicode_FromString(key);
    if (!name) return NULL;
    PyObject *value = PyDict_GetItemWithError(d, name);
    Py_DECREF(name);
    return value;
}

int PyDict_GetItemRef(PyObject *d, PyObject *key, PyObject **result)
{
    *result = NULL;
    if (!PyDict_Check(d)) {
        PyErr_BadInternalCall();
        return -1;
    }
    Py_hash_t hash = key_hash(key);
    if (hash == -1) return -1;
    PyObject *value;
    if (dict_find((PyDictObject *)d, key, hash, &value) == DICT_ERROR) return -1;
    *result = Py_XNewRef(value);
    return value != NULL;
}

int PyDict_GetItemStringRef(PyObject *d, const char *key, PyObject **result)
{
    PyObject *name = PyUnicode_FromString(key);
    if (!name) {
        *result = NULL;
        return -1;
    }
    int found = PyDict_GetItemRef(d, name, result);
    Py_DECREF(name);
    return found;
}

int PyDict_Contains(PyObject *d, PyObject *key)
{
    Py_hash_t hash = key_hash(key);
    PyObject *value;
    if (hash == -1) return -1;
    Py_ssize_t i = dict_find((PyDictObject *)d, key, hash, &value);
    return i == DICT_ERROR ? -1 : value != NULL;
}

int PyDict_ContainsString(PyObject *d, const char *key)
{
    PyObject *name = PyUnicode_FromString(key);
    if (!name) return -1;
    int found = PyDict_Contains(d, name);
    Py_DECREF(name);
    return found;
}

Py_ssize_t PyDict_Size(PyObject *d)
{
    if (d && PyDict_Check(d)) return ((PyDictObject *)d)->ma_used;
    PyErr_BadInternalCall();
    return -1;
}

int PyDict_Next(PyObject *d, Py_ssize_t *pos, PyObject **key, PyObject **value)
{
    PyObject **e;
    if (!PyDict_Check(d) || *pos < 0) return 0;
    if (!keys_next(((PyDictObject *)d)->ma_keys, pos, &e)) return 0;
    if (key) *key = e[0];
    if (value) *value = e[1];
    return 1;
}

/* ---- setting ------------------------------------------------------------------------------------------------------- */

/* Entry i exists; its value becomes value (borrowed). */
static void replace_value(Thread *t, PyDictObject *d, Py_ssize_t i, PyObject *key, PyObject *value)
{
    dict_notify(t, PyDict_EVENT_MODIFIED, d, key, value);
    PyObject **e = keys_entry(d->ma_keys, i), *old = e[1];
    e[1] = Py_NewRef(value);
    dict_touch(t, d);
    dict_track_for(t, d, value, value);
    Py_DECREF(old);
}

void dict_set_value_at(PyDictObject *d, Py_ssize_t i, PyObject *value)
{
    PyObject **e = keys_entry(d->ma_keys, i);
    if (e[1] != value || UNLIKELY(*dict_tag(d) & 0xff)) replace_value(thread_get(), d, i, e[0], value);
}

void dict_set_value_at_any(PyDictObject *d, Py_ssize_t i, PyObject *key, PyObject *value)
{
    if (keys_entry(d->ma_keys, i)[1] != value) replace_value(thread_get(), d, i, key, value);
}

int dict_set_known_hash(PyDictObject *d, PyObject *key, Py_hash_t hash, PyObject *value)
{
    PyObject *old;
    if (LIKELY(d->ma_keys->stride == DICT_STR_STRIDE && dict_is_str(key))) {
        size_t slot;
        Py_ssize_t at = keys_find_str_slot(d->ma_keys, key, hash, &slot);
        if (at < 0) return dict_add_str(thread_get(), d, key, hash, value, slot);
        if (keys_entry(d->ma_keys, at)[1] != value) replace_value(thread_get(), d, at, key, value);
        return 0;
    }
    Py_ssize_t i = dict_find(d, key, hash, &old);
    if (i >= 0) {
        if (old != value) replace_value(thread_get(), d, i, key, value);
        return 0;
    }
    if (UNLIKELY(i == DICT_ERROR)) return -1;
    return dict_add(thread_get(), d, key, hash, value);
}

int dict_set_steal(PyDictObject *d, PyObject *key, PyObject *value)
{
    Py_hash_t hash = key_hash(key);
    int status = hash == -1 ? -1 : dict_set_known_hash(d, key, hash, value);
    Py_DECREF(key);
    Py_DECREF(value);
    return status;
}

int PyDict_SetItem(PyObject *d, PyObject *key, PyObject *item)
{
    if (!PyDict_Check(d)) {
        PyErr_BadInternalCall();
        return -1;
    }
    assert(key && item);
    Py_hash_t hash = key_hash(key);
    if (hash == -1) return -1;
    return dict_set_known_hash((PyDictObject *)d, key, hash, item);
}

int PyDict_SetItemString(PyObject *d, const char *key, PyObject *item)
{
    PyObject *name = PyUnicode_InternFromString(key);
    if (!name) return -1;
    int status = PyDict_SetItem(d, name, item);
    Py_DECREF(name);
    return status;
}

int PyDict_SetDefaultRef(PyObject *d, PyObject *key, PyObject *default_value, PyObject **result)
{
    PyObject *value = NULL;
    if (result) *result = NULL;
    if (!PyDict_Check(d)) {
        PyErr_BadInternalCall();
        return -1;
    }
    Py_hash_t hash = key_hash(key);
    if (hash == -1) return -1;
    Py_ssize_t i = dict_find((PyDictObject *)d, key, hash, &value);
    if (i == DICT_ERROR) return -1;
    if (i < 0) {
        if (dict_add(thread_get(), (PyDictObject *)d, key, hash, default_value) < 0) return -1;
        value = default_value;
    }
    if (result) *result = Py_NewRef(value);
    return i >= 0;
}

PyObject *PyDict_SetDefault(PyObject *d, PyObject *key, PyObject *defaultobj)
{
    PyObject *value;
    if (PyDict_SetDefaultRef(d, key, defaultobj, &value) < 0) return NULL;
    Py_DECREF(value);                                      /* the dict holds it */
    return value;
}

/* ---- removing ------------------------------------------------------------------------------------------------------ */

/* 1 and *result new (dropped when result is NULL), 0 absent, -1. */
int dict_pop_known_hash(PyDictObject *d, PyObject *key, Py_hash_t hash, PyObject **result)
{
    PyObject *value, *old_key;
    if (result) *result = NULL;
    Py_ssize_t i = dict_find(d, key, hash, &value);
    if (i == DICT_ERROR) return -1;
    if (i < 0) return 0;
    Thread *t = thread_get();
    dict_notify(t, PyDict_EVENT_DELETED, d, key, NULL);
    dict_take_entry(t, d, i, &old_key, &value);
    if (result) *result = value;
    Py_DECREF(old_key);
    if (!result) Py_DECREF(value);
    return 1;
}

int PyDict_DelItem(PyObject *d, PyObject *key)
{
    if (!PyDict_Check(d)) {
        PyErr_BadInternalCall();
        return -1;
    }
    Py_hash_t hash = key_hash(key);
    if (hash == -1) return -1;
    int found = dict_pop_known_hash((PyDictObject *)d, key, hash, NULL);
    if (found == 0) errors_set_key_error(key);
    return found > 0 ? 0 : -1;
}

int PyDict_DelItemString(PyObject *d, const char *key)
{
    PyObject *name = PyUnicode_FromString(key);
    if (!name) return -1;
    int status = PyDict_DelItem(d, name);
    Py_DECREF(name);
    return status;
}

int PyDict_Pop(PyObject *d, PyObject *key, PyObject **result)
{
    if (result) *result = NULL;
    if (!PyDict_Check(d)) {
        PyErr_BadInternalCall();
        return -1;
    }
    if (((PyDictObject *)d)->ma_used == 0) return 0;       /* as in CPython, an unhashable key goes unnoticed here */
    Py_hash_t hash = key_hash(key);
    if (hash == -1) return -1;
    return dict_pop_known_hash((PyDictObject *)d, key, hash, result);
}

int PyDict_PopString(PyObject *d, const char *key, PyObject **result)
{
    PyObject *name = PyUnicode_FromString(key);
    if (!name) {
        if (result) *result = NULL;
        return -1;
    }
    int found = PyDict_Pop(d, name, result);
    Py_DECREF(name);
    return found;
}

PyObject *_PyDict_Pop(PyObject *d, PyObject *key, PyObject *default_value)
{
    PyObject *result;
    if (PyDict_Pop(d, key, &result) == 0) {
        if (default_value) return Py_NewRef(default_value);
        errors_set_key_error(key);
    }
    return result;
}

void PyDict_Clear(PyObject *o)
{
    if (!PyDict_Check(o)) return;
    PyDictObject *d = (PyDictObject *)o;
    DictKeys *old = d->ma_keys;
    if (old == &dict_empty_keys) return;
    Thread *t = thread_get();
    dict_notify(t, PyDict_EVENT_CLEARED, d, NULL, NULL);
    old = d->ma_keys;
    d->ma_keys = (DictKeys *)&dict_empty_keys;
    d->ma_used = 0;
    dict_touch(t, d);
    keys_destroy(old);
}

/* ---- copying, merging ---------------------------------------------------------------------------------------------- */

static bool iterates_as_dict(PyObject *o) { return Py_TYPE(o)->tp_iter == PyDict_Type.tp_iter; }

PyObject *PyDict_Copy(PyObject *o)
{
    if (!o || !PyDict_Check(o)) {
        PyErr_BadInternalCall();
        return NULL;
    }
    PyDictObject *d = (PyDictObject *)o;
    if (d->ma_used == 0) return PyDict_New();
    Thread *t = thread_get();
    if (iterates_as_dict(o)) {
        DictKeys *k = keys_clone(t, d);
        if (!k) return NULL;
        PyObject *copy = dict_alloc(t, k, d->ma_used);
        if (copy && gc_is_tracked(o)) gc_track(t, copy);
        return copy;
    }
    PyObject *copy = PyDict_New();
    if (copy && dict_merge((PyDictObject *)copy, o, 1) < 0) Py_CLEAR(copy);
    return copy;
}

/* One pair of a merge. */
static int merge_item(Thread *t, PyDictObject *d, PyObject *key, Py_hash_t hash, PyObject *value, int override)
{
    if (override == 1) return dict_set_known_hash(d, key, hash, value);
    PyObject *old;
    Py_ssize_t i = dict_find(d, key, hash, &old);
    if (i == DICT_ERROR) return -1;
    if (i < 0) return dict_add(t, d, key, hash, value);
    if (override == 0) return 0;
    errors_set_key_error(key);
    return -1;
}

static int merge_dict(Thread *t, PyDictObject *d, PyDictObject *other, int override)
{
    if (other == d || other->ma_used == 0) return 0;
    if (d->ma_used == 0 && override == 1) {
        dict_notify(t, PyDict_EVENT_CLONED, d, OBJECT(other), NULL);
        DictKeys *k = keys_clone(t, other), *old = d->ma_keys;
        if (!k) return -1;
        d->ma_keys = k;
        d->ma_used = other->ma_used;
        dict_touch(t, d);
        if (gc_is_tracked(OBJECT(other)) && !gc_is_tracked(OBJECT(d))) gc_track(t, OBJECT(d));
        keys_destroy(old);
        return 0;
    }
    /* One growth in place of several, when most keys will be new. */
    if (keys_capacity(d->ma_keys) - d->ma_keys->count < other->ma_used && other->ma_used > d->ma_used &&
        dict_reserve(t, d, other->ma_used, other->ma_keys->stride) < 0) return -1;
    const DictKeys *k = other->ma_keys;
    Py_ssize_t at = 0, count = k->count;
    PyObject **e;
    while (keys_next(other->ma_keys, &at, &e)) {
        PyObject *key = Py_NewRef(e[0]), *value = Py_NewRef(e[1]);
        Py_hash_t hash = keys_entry_hash(other->ma_keys, e);
        int status = merge_item(t, d, key, hash, value, override);
        Py_DECREF(value);
        Py_DECREF(key);
        if (status < 0) return -1;
        if (count != other->ma_keys->count) {
            PyErr_SetString(PyExc_RuntimeError, "dict mutated during update");
            return -1;
        }
    }
    return 0;
}

/* Any mapping: other.keys() and other[key]. */
static int merge_mapping(PyDictObject *d, PyObject *other, int override)
{
    int status = -1;
    PyObject *it = NULL, *key, *keys = PyMapping_Keys(other);
    if (!keys) return -1;
    it = PyObject_GetIter(keys);
    Py_DECREF(keys);
    if (!it) return -1;
    while ((key = PyIter_Next(it))) {
        if (override != 1) {
            int found = PyDict_Contains(OBJECT(d), key);
            if (found > 0 && override == 0) {
                Py_DECREF(key);
                continue;
            }
            if (found) {
                if (found > 0) errors_set_key_error(key);
                Py_DECREF(key);
                goto done;
            }
        }
        PyObject *value = PyObject_GetItem(other, key);
        int set = value ? PyDict_SetItem(OBJECT(d), key, value) : -1;
        Py_XDECREF(value);
        Py_DECREF(key);
        if (set < 0) goto done;
    }
    status = PyErr_Occurred() ? -1 : 0;
done:
    Py_DECREF(it);
    return status;
}

int dict_merge(PyDictObject *d, PyObject *other, int override)
{
    if (PyDict_Check(other) && iterates_as_dict(other)) return merge_dict(thread_get(), d, (PyDictObject *)other, override);
    return merge_mapping(d, other, override);
}

int dict_merge_unique(PyObject *d, PyObject *other) { return dict_merge((PyDictObject *)d, other, 2); }

int PyDict_Merge(PyObject *d, PyObject *other, int override)
{
    if (!d || !PyDict_Check(d) || !other) {
        PyErr_BadInternalCall();
        return -1;
    }
    return dict_merge((PyDictObject *)d, other, override != 0);
}

int PyDict_Update(PyObject *d, PyObject *other) { return PyDict_Merge(d, other, 1); }

/* One element of a sequence of pairs. */
static int merge_pair(PyObject *d, PyObject *item, Py_ssize_t number, int override)
{
    PyObject *fast = PySequence_Fast(item, "");
    if (!fast) {
        if (PyErr_ExceptionMatches(PyExc_TypeError))
            PyErr_Format(PyExc_TypeError, "cannot convert dictionary update sequence element #%zd to a sequence", number);
        return -1;
    }
    int status = -1;
    Py_ssize_t n = PySequence_Fast_GET_SIZE(fast);
    if (n == 2) {
        PyObject *key = Py_NewRef(PySequence_Fast_GET_ITEM(fast, 0)), *value = Py_NewRef(PySequence_Fast_GET_ITEM(fast, 1));
        status = override ? PyDict_SetItem(d, key, value) : PyDict_SetDefaultRef(d, key, value, NULL);
        Py_DECREF(key);
        Py_DECREF(value);
    }
    else PyErr_Format(PyExc_ValueError, "dictionary update sequence element #%zd has length %zd; 2 is required", number, n);
    Py_DECREF(fast);
    return status < 0 ? -1 : 0;
}

int PyDict_MergeFromSeq2(PyObject *d, PyObject *seq2, int override)
{
    PyObject *item, *it = PyObject_GetIter(seq2);
    if (!it) return -1;
    for (Py_ssize_t i = 0; (item = PyIter_Next(it)); i++) {
        int status = merge_pair(d, item, i, override);
        Py_DECREF(item);
        if (status < 0) break;
    }
    Py_DECREF(it);
    return PyErr_Occurred() ? -1 : 0;
}

/* ---- lists of what is inside ----------------------------------------------------------------------------------------- */

/* part: 0 keys, 1 values, 2 pairs. */
static PyObject *dict_list(PyObject *o, int part)
{
    PyDictObject *d = (PyDictObject *)o;
    if (!o || !PyDict_Check(o)) {
        PyErr_BadInternalCall();
        return NULL;
    }
again:;
    Py_ssize_t n = d->ma_used, at = 0, i = 0;
    PyObject **e, *list = PyList_New(n);
    if (!list) return NULL;
    if (part == 2) {                                       /* all allocations first: a collection may change the dict */
        for (i = 0; i < n; i++) {
            PyObject *pair = PyTuple_New(2);
            if (!pair) {
                Py_DECREF(list);
                return NULL;
            }
            PyList_SET_ITEM(list, i, pair);
        }
        i = 0;
    }
    if (n != d->ma_used) {
        Py_DECREF(list);
        goto again;
    }
    while (keys_next(d->ma_keys, &at, &e)) {
        if (part < 2) PyList_SET_ITEM(list, i, Py_NewRef(e[part]));
        else {
            PyObject *pair = PyList_GET_ITEM(list, i);
            PyTuple_SET_ITEM(pair, 0, Py_NewRef(e[0]));
            PyTuple_SET_ITEM(pair, 1, Py_NewRef(e[1]));
        }
        i++;
    }
    assert(i == n);
    return list;
}

PyObject *PyDict_Keys(PyObject *d) { return dict_list(d, 0); }
PyObject *PyDict_Values(PyObject *d) { return dict_list(d, 1); }
PyObject *PyDict_Items(PyObject *d) { return dict_list(d, 2); }

size_t dict_storage_size(PyDictObject *d) { return d->ma_keys == &dict_empty_keys ? 0 : keys_bytes(d->ma_keys); }

bool dict_is_untrackable(PyObject *o)
{
    PyObject **e;
    for (Py_ssize_t at = 0; keys_next(((PyDictObject *)o)->ma_keys, &at, &e);)
        if (gc_may_be_tracked(e[1]) || gc_may_be_tracked(e[0])) return false;
    return true;
}
