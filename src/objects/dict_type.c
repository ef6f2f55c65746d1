/* dict: the type, its slots and methods. */
#include "objects/dict_private.h"

#include "objects/set_private.h"
#include "runtime/errors.h"

/* ---- life ---------------------------------------------------------------------------------------------------------- */

static PyObject *dict_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    (void)args, (void)kwargs;
    if (type == &PyDict_Type) return PyDict_New();
    PyDictObject *d = (PyDictObject *)type->tp_alloc(type, 0);
    if (!d) return NULL;
    d->ma_used = 0;
    *dict_tag(d) = interp_get()->objects.dicts.version += 1 << 12;
    d->ma_keys = (DictKeys *)&dict_empty_keys;
    d->ma_values = NULL;
    return OBJECT(d);
}

static void dict_dealloc(PyObject *o)
{
    PyDictObject *d = (PyDictObject *)o;
    Thread *t = thread_get();
    if (UNLIKELY(*dict_tag(d) & 0xff)) {
        Py_SET_REFCNT(o, 1);                               /* callbacks may look at it, and even keep it */
        dict_notify_slow(t, PyDict_EVENT_DEALLOCATED, d, NULL, NULL);
        if (Py_REFCNT(o) > 1) {
            Py_SET_REFCNT(o, Py_REFCNT(o) - 1);
            return;
        }
        Py_SET_REFCNT(o, 0);
    }
    if (gc_is_tracked(o)) gc_untrack(t, o);
    if (d->ma_keys) keys_destroy(d->ma_keys);
    if (LIKELY(Py_IS_TYPE(o, &PyDict_Type))) gc_free(t, o, 0);
    else Py_TYPE(o)->tp_free(o);
}

static int dict_traverse(PyObject *o, visitproc visit, void *arg)
{
    DictKeys *k = ((PyDictObject *)o)->ma_keys;
    if (!k) return 0;                                      /* tracked by tp_alloc before dict_new went on */
    PyObject **e = keys_entries(k);
    if (k->stride == DICT_STR_STRIDE) {
        for (Py_ssize_t i = 0; i < k->count; i++, e += DICT_STR_STRIDE) Py_VISIT(e[1]);
        return 0;
    }
    for (Py_ssize_t i = 0; i < k->count; i++, e += DICT_GENERAL_STRIDE) {
        if (!e[1]) continue;
        Py_VISIT(e[0]);
        Py_VISIT(e[1]);
    }
    return 0;
}

static int dict_tp_clear(PyObject *o)
{
    PyDict_Clear(o);
    return 0;
}

/* ---- update, construction -------------------------------------------------------------------------------------------- */

/* d.update(arg): a mapping has a method keys. */
static int update_from(PyObject *d, PyObject *arg)
{
    PyObject *method;
    if (PyDict_CheckExact(arg)) return PyDict_Merge(d, arg, 1);
    int found = PyObject_GetOptionalAttr(arg, STR(keys), &method);
    if (found < 0) return -1;
    if (!found) return PyDict_MergeFromSeq2(d, arg, 1);
    Py_DECREF(method);
    return PyDict_Merge(d, arg, 1);
}

static int update_common(PyObject *d, PyObject *args, PyObject *kwargs, const char *name)
{
    PyObject *arg = NULL;
    if (!PyArg_UnpackTuple(args, name, 0, 1, &arg)) return -1;
    if (arg && update_from(d, arg) < 0) return -1;
    if (!kwargs) return 0;
    if (!PyArg_ValidateKeywordArguments(kwargs)) return -1;
    return PyDict_Merge(d, kwargs, 1);
}

static int dict_init(PyObject *self, PyObject *args, PyObject *kwargs) { return update_common(self, args, kwargs, "dict"); }

static PyObject *dict_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    if (nargs > 1) {
        PyErr_Format(PyExc_TypeError, "dict expected at most 1 argument, got %zd", nargs);
        return NULL;
    }
    PyObject *self = dict_new((PyTypeObject *)type, NULL, NULL);
    if (!self) return NULL;
    if (nargs == 1 && update_from(self, args[0]) < 0) goto fail;
    if (kwnames) {
        args += nargs;
        for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(kwnames); i++)
            if (PyDict_SetItem(self, PyTuple_GET_ITEM(kwnames, i), args[i]) < 0) goto fail;
    }
    return self;
fail:
    Py_DECREF(self);
    return NULL;
}

static PyObject *dict_update(PyObject *self, PyObject *args, PyObject *kwargs)
{
    if (update_common(self, args, kwargs, "update") < 0) return NULL;
    Py_RETURN_NONE;
}

static const char dict_update_doc[] =
    "D.update([E, ]**F) -> None.  Update D from mapping/iterable E and F.\n"
    "E with a method keys() is read by key, otherwise as an iterable of pairs; F comes last.";

/* Keys of a dict or set, whose hashes are known, into an empty dict. */
static int fill_from_hashed(PyDictObject *d, PyObject *source, PyObject *value)
{
    Py_ssize_t at = 0, n = PyDict_CheckExact(source) ? PyDict_GET_SIZE(source) : PySet_GET_SIZE(source);
    Thread *t = thread_get();
    PyObject **e;
    setentry *entry;
    if (n > 5 && dict_reserve(t, d, n, DICT_STR_STRIDE) < 0) return -1;
    for (;;) {
        PyObject *key;
        Py_hash_t hash;
        if (PyDict_CheckExact(source)) {
            DictKeys *keys = ((PyDictObject *)source)->ma_keys;
            if (!keys_next(keys, &at, &e)) return 0;
            key = e[0];
            hash = keys_entry_hash(keys, e);
        }
        else {
            if (!(entry = set_next((PySetObject *)source, &at))) return 0;
            key = entry->key;
            hash = entry->hash;
        }
        Py_INCREF(key);                                    /* comparing may change the source */
        int status = dict_set_known_hash(d, key, hash, value);
        Py_DECREF(key);
        if (status < 0) return -1;
    }
}

BUILTIN(dict, fromkeys, POSITIONAL, "($type, iterable, value=None, /)", "Make a dict whose keys are the items, all with one value.")
{
    PyObject *value = arg[1] ? arg[1] : Py_None, *key, *it = NULL;
    PyObject *d = PyObject_CallNoArgs(self);
    if (!d) return NULL;
    bool exact = PyDict_CheckExact(d);
    if (exact && PyDict_GET_SIZE(d) == 0 && (PyDict_CheckExact(arg[0]) || PyAnySet_CheckExact(arg[0]))) {
        if (fill_from_hashed((PyDictObject *)d, arg[0], value) < 0) goto fail;
        return d;
    }
    if (!(it = PyObject_GetIter(arg[0]))) goto fail;
    while ((key = PyIter_Next(it))) {
        int status = exact ? PyDict_SetItem(d, key, value) : PyObject_SetItem(d, key, value);
        Py_DECREF(key);
        if (status < 0) goto fail;
    }
    if (PyErr_Occurred()) goto fail;
    Py_DECREF(it);
    return d;
fail:
    Py_XDECREF(it);
    Py_DECREF(d);
    return NULL;
}

/* ---- items ----------------------------------------------------------------------------------------------------------- */

/* type(d).__missing__(d, key) of a subclass, or KeyError. */
static COLD NOINLINE PyObject *dict_missing(PyObject *self, PyObject *key)
{
    if (!PyDict_CheckExact(self)) {
        PyObject *method = _PyType_Lookup(Py_TYPE(self), STR(__missing__));       /* borrowed */
        if (method) {
            PyObject *args[2] = { self, key }, *result;
            Py_INCREF(method);
            descrgetfunc get = Py_TYPE(method)->tp_descr_get;
            if (PyType_HasFeature(Py_TYPE(method), Py_TPFLAGS_METHOD_DESCRIPTOR) || !get)
                result = get ? PyObject_Vectorcall(method, args, 2, NULL) : PyObject_CallOneArg(method, key);
            else {
                PyObject *bound = get(method, self, OBJECT(Py_TYPE(self)));
                result = bound ? PyObject_CallOneArg(bound, key) : NULL;
                Py_XDECREF(bound);
            }
            Py_DECREF(method);
            return result;
        }
        if (PyErr_Occurred()) return NULL;
    }
    errors_set_key_error(key);
    return NULL;
}

PyObject *dict_subscript(PyObject *self, PyObject *key)
{
    PyObject *value;
    Py_hash_t hash = key_hash(key);
    if (hash == -1) return NULL;
    Py_ssize_t i = dict_find((PyDictObject *)self, key, hash, &value);
    if (LIKELY(i >= 0)) return Py_NewRef(value);
    return i == DICT_ERROR ? NULL : dict_missing(self, key);
}

static int dict_ass_sub(PyObject *self, PyObject *key, PyObject *value)
{
    return value ? PyDict_SetItem(self, key, value) : PyDict_DelItem(self, key);
}

static Py_ssize_t dict_length(PyObject *self) { return ((PyDictObject *)self)->ma_used; }

BUILTIN_O(dict, __getitem__, "($self, key, /)", "Return self[key].") { return dict_subscript(self, arg); }

BUILTIN_O(dict, __contains__, "($self, key, /)", "True if the dictionary has the specified key, else False.")
{
    int found = PyDict_Contains(self, arg);
    return found < 0 ? NULL : PyBool_FromLong(found);
}

BUILTIN(dict, get, POSITIONAL, "($self, key, default=None, /)", "The value of key, or default when the key is absent.")
{
    PyObject *value;
    Py_hash_t hash = key_hash(arg[0]);
    if (hash == -1) return NULL;
    Py_ssize_t i = dict_find((PyDictObject *)self, arg[0], hash, &value);
    if (i == DICT_ERROR) return NULL;
    if (i < 0) value = arg[1] ? arg[1] : Py_None;
    return Py_NewRef(value);
}

BUILTIN(dict, setdefault, POSITIONAL, "($self, key, default=None, /)",
        "Enter key with default unless it is there already; return its value.")
{
    PyObject *value;
    PyDict_SetDefaultRef(self, arg[0], arg[1] ? arg[1] : Py_None, &value);
    return value;
}

BUILTIN(dict, pop, POSITIONAL, "($self, key, default=<unrepresentable>, /)",
        "Remove key and return its value.\n\nAn absent key gives default, or KeyError without one.")
{
    return _PyDict_Pop(self, arg[0], arg[1]);
}

BUILTIN_NOARGS(dict, popitem, "($self, /)",
               "Remove the pair that was added last and return it as (key, value).\n\nKeyError when the dict is empty.")
{
    PyDictObject *d = (PyDictObject *)self;
    Thread *t = thread_get();
    PyObject *key, *value, *pair = PyTuple_New(2);         /* first: a collection may change the dict */
    if (!pair) return NULL;
    if (d->ma_used == 0) {
        Py_DECREF(pair);
        PyErr_SetString(PyExc_KeyError, "popitem(): dictionary is empty");
        return NULL;
    }
    Py_ssize_t i = keys_last_live(d->ma_keys);
    dict_notify(t, PyDict_EVENT_DELETED, d, keys_entry(d->ma_keys, i)[0], NULL);
    dict_take_entry(t, d, i, &key, &value);
    keys_leave_hint(d->ma_keys, i);
    PyTuple_SET_ITEM(pair, 0, key);
    PyTuple_SET_ITEM(pair, 1, value);
    return pair;
}

BUILTIN_NOARGS(dict, clear, "($self, /)", "Remove all items from the dict.")
{
    PyDict_Clear(self);
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(dict, copy, "($self, /)", "Return a shallow copy of the dict.") { return PyDict_Copy(self); }
BUILTIN_NOARGS(dict, keys, "($self, /)", "Return a set-like object providing a view on the dict's keys.")
{
    return dict_view_new(self, &PyDictKeys_Type);
}
BUILTIN_NOARGS(dict, items, "($self, /)", "Return a set-like object providing a view on the dict's items.")
{
    return dict_view_new(self, &PyDictItems_Type);
}
BUILTIN_NOARGS(dict, values, "($self, /)", "Return an object providing a view on the dict's values.")
{
    return dict_view_new(self, &PyDictValues_Type);
}

BUILTIN_NOARGS(dict, __sizeof__, "($self, /)", "Return the size of the dict in memory.")
{
    return PyLong_FromSize_t((size_t)Py_TYPE(self)->tp_basicsize + dict_storage_size((PyDictObject *)self));
}

/* ---- comparison, operators, repr ----------------------------------------------------------------------------------------- */

static int dict_equal(PyDictObject *a, PyDictObject *b)
{
    PyObject **e;
    if (a->ma_used != b->ma_used) return 0;
    for (Py_ssize_t at = 0; keys_next(a->ma_keys, &at, &e);) {
        PyObject *key = Py_NewRef(e[0]), *mine = Py_NewRef(e[1]), *other;
        int same = 0;
        Py_ssize_t i = dict_find(b, key, keys_entry_hash(a->ma_keys, e), &other);
        if (i >= 0) {
            Py_INCREF(other);
            same = object_equal(mine, other);
            Py_DECREF(other);
        }
        Py_DECREF(key);
        Py_DECREF(mine);
        if (i == DICT_ERROR) return -1;
        if (same <= 0) return same;
    }
    return 1;
}

static PyObject *dict_richcompare(PyObject *a, PyObject *b, int op)
{
    if (!PyDict_Check(a) || !PyDict_Check(b) || (op != Py_EQ && op != Py_NE)) Py_RETURN_NOTIMPLEMENTED;
    int same = dict_equal((PyDictObject *)a, (PyDictObject *)b);
    return same < 0 ? NULL : PyBool_FromLong(same == (op == Py_EQ));
}

static PyObject *dict_or(PyObject *a, PyObject *b)
{
    if (!PyDict_Check(a) || !PyDict_Check(b)) Py_RETURN_NOTIMPLEMENTED;
    PyObject *result = PyDict_Copy(a);
    if (result && update_from(result, b) < 0) Py_CLEAR(result);
    return result;
}

static PyObject *dict_ior(PyObject *self, PyObject *other)
{
    return update_from(self, other) < 0 ? NULL : Py_NewRef(self);
}

static int write_repr(_PyUnicodeWriter *w, PyObject *o)
{
    PyObject *text = PyObject_Repr(o);
    if (!text) return -1;
    int status = _PyUnicodeWriter_WriteStr(w, text);
    Py_DECREF(text);
    return status;
}

static PyObject *dict_repr(PyObject *self)
{
    PyDictObject *d = (PyDictObject *)self;
    int entered = Py_ReprEnter(self);
    if (entered) return entered > 0 ? PyUnicode_FromString("{...}") : NULL;
    if (d->ma_used == 0) {
        Py_ReprLeave(self);
        return PyUnicode_FromString("{}");
    }
    _PyUnicodeWriter w;
    _PyUnicodeWriter_Init(&w);
    w.overallocate = 1;
    w.min_length = 1 + 4 + (2 + 4) * (d->ma_used - 1) + 1;
    PyObject **e;
    bool first = true;
    if (_PyUnicodeWriter_WriteASCIIString(&w, "{", 1) < 0) goto fail;
    for (Py_ssize_t at = 0; keys_next(d->ma_keys, &at, &e); first = false) {
        PyObject *key = Py_NewRef(e[0]), *value = Py_NewRef(e[1]);
        int status = (!first && _PyUnicodeWriter_WriteASCIIString(&w, ", ", 2) < 0) || write_repr(&w, key) < 0 ||
                     _PyUnicodeWriter_WriteASCIIString(&w, ": ", 2) < 0 || write_repr(&w, value) < 0;
        Py_DECREF(key);
        Py_DECREF(value);
        if (status) goto fail;
    }
    if (_PyUnicodeWriter_WriteASCIIString(&w, "}", 1) < 0) goto fail;
    Py_ReprLeave(self);
    return _PyUnicodeWriter_Finish(&w);
fail:
    _PyUnicodeWriter_Dealloc(&w);
    Py_ReprLeave(self);
    return NULL;
}

static PyObject *dict_iter(PyObject *self);
static PyObject *dict_reversed(PyObject *self, PyObject *unused);

PyObject *dict_iterator_new(PyObject *d, PyTypeObject *type);

static PyObject *dict_iter(PyObject *self) { return dict_iterator_new(self, &PyDictIterKey_Type); }
static PyObject *dict_reversed(PyObject *self, PyObject *Py_UNUSED(unused)) { return dict_iterator_new(self, &PyDictRevIterKey_Type); }

static PyMethodDef dict_methods[] = {
    METHOD_COEXIST(dict, __contains__), METHOD_COEXIST(dict, __getitem__), METHOD(dict, __sizeof__), METHOD(dict, get),
    METHOD(dict, setdefault), METHOD(dict, pop), METHOD(dict, popitem), METHOD(dict, keys), METHOD(dict, items),
    METHOD(dict, values),
    { "update", (PyCFunction)(void (*)(void))dict_update, METH_VARARGS | METH_KEYWORDS, dict_update_doc },
    METHOD_CLASS(dict, fromkeys), METHOD(dict, clear), METHOD(dict, copy),
    { "__reversed__", dict_reversed, METH_NOARGS, "__reversed__($self, /)\n--\n\nReturn a reverse iterator over the dict keys." },
    CLASS_GETITEM,
    { 0 },
};

static PySequenceMethods dict_as_sequence = { .sq_contains = PyDict_Contains };
static PyMappingMethods dict_as_mapping = { .mp_length = dict_length, .mp_subscript = dict_subscript, .mp_ass_subscript = dict_ass_sub };
static PyNumberMethods dict_as_number = { .nb_or = dict_or, .nb_inplace_or = dict_ior };

PyTypeObject PyDict_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "dict",
    .tp_basicsize = sizeof(PyDictObject),
    .tp_dealloc = dict_dealloc,
    .tp_repr = dict_repr,
    .tp_as_number = &dict_as_number,
    .tp_as_sequence = &dict_as_sequence,
    .tp_as_mapping = &dict_as_mapping,
    .tp_hash = PyObject_HashNotImplemented,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_DICT_SUBCLASS | _Py_TPFLAGS_MATCH_SELF |
                Py_TPFLAGS_MAPPING,
    .tp_doc = "dict() -> new empty dictionary\n"
              "dict(mapping) -> new dictionary initialized from a mapping object's\n"
              "    (key, value) pairs\n"
              "dict(iterable) -> new dictionary with the pairs that the iterable gives\n"
              "dict(**kwargs) -> new dictionary initialized with the name=value pairs\n"
              "    in the keyword argument list.  For example:  dict(one=1, two=2)",
    .tp_traverse = dict_traverse,
    .tp_clear = dict_tp_clear,
    .tp_richcompare = dict_richcompare,
    .tp_iter = dict_iter,
    .tp_methods = dict_methods,
    .tp_init = dict_init,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = dict_new,
    .tp_free = PyObject_GC_Del,
    .tp_vectorcall = dict_vectorcall,
};
