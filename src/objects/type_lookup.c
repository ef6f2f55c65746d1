/* Finding attributes of types fast: version tags and the method cache, invalidation, type watchers, subclass lists.
 *
 * Invariant: while a type has a version tag, nothing that the tag stands for (its MRO, the dicts along it) has changed since
 * the tag was given; all types of its MRO have tags too, and lose theirs only after it lost its own. So a cache entry whose
 * version matches needs no further check, and its value, though borrowed, is alive. */
#include "objects/type.h"

#include "objects/unicode.h"

enum { VERSIONS_A_CLASS = 1000, VERSIONS_NEVER = UINT16_MAX };

int type_find_in_mro(PyTypeObject *type, PyObject *name, PyObject **value)
{
    *value = NULL;
    PyObject *mro = type->tp_mro;
    if (UNLIKELY(!mro)) {
        if (!(type->tp_flags & Py_TPFLAGS_READYING) && PyType_Ready(type) < 0) return -1;
        if (!(mro = type->tp_mro)) return 0;
    }
    int found = 0;
    Py_INCREF(mro);                             /* a hostile __eq__ of a key may replace it */
    for (Py_ssize_t i = 0, n = PyTuple_GET_SIZE(mro); i < n; i++) {
        PyObject *dict = ((PyTypeObject *)PyTuple_GET_ITEM(mro, i))->tp_dict;
        if (UNLIKELY(!dict)) continue;
        if ((found = PyDict_GetItemRef(dict, name, value)) != 0) break;
    }
    Py_DECREF(mro);
    if (found < 0) return -1;
    if (found) Py_DECREF(*value);               /* the dict holds it */
    return 0;
}

/* The next number, of all interpreters; 0: all used up. The margin is for those that come to the end at once. */
uint32_t version_next(uint32_t *last)
{
    if (UNLIKELY(__atomic_load_n(last, __ATOMIC_RELAXED) >= UINT32_MAX - 1024)) return 0;
    return __atomic_add_fetch(last, 1, __ATOMIC_RELAXED);
}

uint32_t type_assign_version(PyTypeObject *type)
{
    if (type->tp_version_tag) return type->tp_version_tag;
    if (!(type->tp_flags & Py_TPFLAGS_READY) || !type->tp_bases) return 0;
    if (type->tp_versions_used >= VERSIONS_A_CLASS) return 0;
    for (Py_ssize_t i = 0, n = PyTuple_GET_SIZE(type->tp_bases); i < n; i++)
        if (!type_assign_version((PyTypeObject *)PyTuple_GET_ITEM(type->tp_bases, i))) return 0;
    uint32_t version = version_next(&_PyRuntime.types.version);
    if (UNLIKELY(!version)) return 0;
    type->tp_versions_used++;
    return type->tp_version_tag = version;
}

int PyUnstable_Type_AssignVersionTag(PyTypeObject *type) { return type_assign_version(type) != 0; }

NOINLINE PyObject *type_lookup_slow(PyTypeObject *type, PyObject *name)
{
    PyObject *value;
    bool cacheable = PyUnicode_CheckExact(name) && str_is_interned(name);
    uint32_t version = cacheable ? type_assign_version(type) : 0;
    if (type_find_in_mro(type, name, &value) < 0) {
        PyErr_Clear();                                      /* documented to set no exception */
        return NULL;
    }
    if (version && version == type->tp_version_tag) {
        MethodCacheEntry *e = method_cache_entry(type_state(), version, name);
        PyObject *old = e->name;
        e->version = version;
        e->value = value;
        e->name = Py_NewRef(name);
        Py_XDECREF(old);                                    /* a str: runs no code */
    }
    return value;
}

PyObject *_PyType_Lookup(PyTypeObject *type, PyObject *name) { return type_lookup(type, name); }

PyObject *_PyType_LookupRef(PyTypeObject *type, PyObject *name) { return Py_XNewRef(type_lookup(type, name)); }

unsigned int PyType_ClearCache(void)
{
    TypeState *s = type_state();
    for (size_t i = 0; i < METHOD_CACHE_SIZE; i++) {
        MethodCacheEntry *e = &s->cache[i];
        PyObject *name = e->name;
        *e = (MethodCacheEntry){0};
        Py_XDECREF(name);
    }
    return _PyRuntime.types.version;
}

/* ---- subclasses ------------------------------------------------------------------------------------------------ */

SubclassList **type_subclass_slot(PyTypeObject *type)
{
    if (type->tp_flags & _Py_TPFLAGS_STATIC_BUILTIN) {
        size_t index = (size_t)type->tp_subclasses;
        assert(index > 0 && index <= STATIC_TYPES_MAX);
        return &type_state()->static_subclasses[index - 1];
    }
    return (SubclassList **)(void *)&type->tp_subclasses;
}

int type_add_subclass(PyTypeObject *base, PyTypeObject *type)
{
    SubclassList **slot = type_subclass_slot(base), *list = *slot;
    if (!list || list->count == list->capacity) {
        Py_ssize_t capacity = list ? list->capacity * 2 : 4;
        SubclassList *grown = PyMem_Realloc(list, sizeof *list + (size_t)capacity * sizeof(PyTypeObject *));
        if (!grown) {
            PyErr_NoMemory();
            return -1;
        }
        if (!list) grown->count = 0;
        grown->capacity = capacity;
        *slot = list = grown;
    }
    list->items[list->count++] = type;
    return 0;
}

void type_remove_subclass(PyTypeObject *base, PyTypeObject *type)
{
    SubclassList **slot = type_subclass_slot(base), *list = *slot;
    if (!list) return;
    for (Py_ssize_t i = list->count; i-- > 0;) {            /* the youngest die first */
        if (list->items[i] != type) continue;
        list->count--;
        memmove(&list->items[i], &list->items[i + 1], (size_t)(list->count - i) * sizeof list->items[0]);
        break;
    }
    if (!list->count) {
        *slot = NULL;
        PyMem_Free(list);
    }
}

/* ---- invalidation ---------------------------------------------------------------------------------------------- */

static void notify_watchers(PyTypeObject *type)
{
    TypeState *s = type_state();
    for (unsigned bits = type->tp_watched; bits; bits &= bits - 1) {
        PyType_WatchCallback callback = s->watchers[__builtin_ctz(bits)];
        if (callback && callback(type) < 0) PyErr_FormatUnraisable("Exception ignored in type watcher callback #%d for %R",
                                                                   __builtin_ctz(bits), type);
    }
}

/* Versions of type and all classes below it: what specialised code knows of them holds no longer. */
static void forget_versions(PyTypeObject *type)
{
    SubclassList *list = *type_subclass_slot(type);
    for (Py_ssize_t i = 0; list && i < list->count; i++) forget_versions(list->items[i]);
    if (type->tp_flags & _Py_TPFLAGS_STATIC_BUILTIN) return;
    type->tp_version_tag = 0;
    if (type->tp_flags & Py_TPFLAGS_HEAPTYPE) ((PyHeapTypeObject *)type)->_spec_cache.getitem = NULL;
}

/* A class became or ceased to be a descriptor's, or a metaclass changed. Specialised code guards with the version of the
 * object's class alone; these rare events invalidate all of them. */
COLD void type_forget_all_versions(void) { forget_versions(&PyBaseObject_Type); }

void PyType_Modified(PyTypeObject *type)
{
    if (!type->tp_version_tag) return;                      /* then its subclasses have none either */
    SubclassList *list = *type_subclass_slot(type);
    for (Py_ssize_t i = 0; list && i < list->count; i++) {
        PyType_Modified(list->items[i]);
        list = *type_subclass_slot(type);                   /* a watcher may have made a class */
    }
    if (UNLIKELY(type->tp_watched)) notify_watchers(type);
    type->tp_version_tag = 0;
    if (type->tp_flags & Py_TPFLAGS_HEAPTYPE) ((PyHeapTypeObject *)type)->_spec_cache.getitem = NULL;
    if (UNLIKELY(type->tp_flags & Py_TPFLAGS_TYPE_SUBCLASS)) type_forget_all_versions();
}

/* Of a type whose MRO is not what its bases alone give: never cached again. */
void type_mro_modified(PyTypeObject *type, PyObject *bases)
{
    bool custom = false;
    if (!Py_IS_TYPE(type, &PyType_Type)) {
        PyObject *mine = type_lookup(Py_TYPE(type), STR(mro)), *plain = type_lookup(&PyType_Type, STR(mro));
        custom = mine && mine != plain;
    }
    for (Py_ssize_t i = 0; !custom && i < PyTuple_GET_SIZE(bases); i++)
        custom = !PyType_IsSubtype(type, (PyTypeObject *)PyTuple_GET_ITEM(bases, i));
    if (!custom) return;
    assert(!(type->tp_flags & _Py_TPFLAGS_STATIC_BUILTIN));
    type->tp_version_tag = 0;
    type->tp_versions_used = VERSIONS_NEVER;
    if (type->tp_flags & Py_TPFLAGS_HEAPTYPE) ((PyHeapTypeObject *)type)->_spec_cache.getitem = NULL;
}

/* ---- watchers -------------------------------------------------------------------------------------------------- */

static int watcher_check(int id)
{
    if (id < 0 || id >= TYPE_MAX_WATCHERS) {
        PyErr_Format(PyExc_ValueError, "Invalid type watcher ID %d", id);
        return -1;
    }
    if (!type_state()->watchers[id]) {
        PyErr_Format(PyExc_ValueError, "No type watcher set for ID %d", id);
        return -1;
    }
    return 0;
}

int PyType_AddWatcher(PyType_WatchCallback callback)
{
    TypeState *s = type_state();
    for (int i = 0; i < TYPE_MAX_WATCHERS; i++) {
        if (s->watchers[i]) continue;
        s->watchers[i] = callback;
        return i;
    }
    PyErr_SetString(PyExc_RuntimeError, "no more type watcher IDs available");
    return -1;
}

int PyType_ClearWatcher(int id)
{
    if (watcher_check(id) < 0) return -1;
    type_state()->watchers[id] = NULL;
    return 0;
}

static int watch_check(int id, PyObject *type)
{
    if (!PyType_Check(type)) {
        PyErr_SetString(PyExc_ValueError, "Cannot watch non-type");
        return -1;
    }
    return watcher_check(id);
}

int PyType_Watch(int id, PyObject *o)
{
    if (watch_check(id, o) < 0) return -1;
    PyTypeObject *type = (PyTypeObject *)o;
    type_assign_version(type);                              /* without a version no change would be noticed */
    type->tp_watched |= (unsigned char)(1 << id);
    return 0;
}

int PyType_Unwatch(int id, PyObject *type)
{
    if (watch_check(id, type) < 0) return -1;
    ((PyTypeObject *)type)->tp_watched &= (unsigned char)~(1 << id);
    return 0;
}
