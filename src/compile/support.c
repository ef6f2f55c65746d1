/* The small tools of the compiler: pools, maps keyed by address, the cache of constants, instruction lists, name mangling,
 * errors with a place. Nothing here knows about Python's syntax. */
#include "compile/compile_private.h"

/* ---- pools -------------------------------------------------------------------------------------------------------- */

struct PoolChunk { PoolChunk *older; size_t size; };
enum { POOL_CHUNK = 64 * 1024 };

static int pool_grow(Pool *pool, size_t size)
{
    size_t bytes = size + sizeof(PoolChunk) > POOL_CHUNK ? size + sizeof(PoolChunk) : POOL_CHUNK;
    PoolChunk *chunk = PyMem_RawMalloc(bytes);
    if (!chunk) {
        PyErr_NoMemory();
        return -1;
    }
    *chunk = (PoolChunk){ pool->chunks, bytes };
    pool->chunks = chunk;
    pool->next = (char *)(chunk + 1);
    pool->limit = (char *)chunk + bytes;
    return 0;
}

void *pool_alloc(Pool *pool, size_t size)
{
    if (UNLIKELY(size > PTRDIFF_MAX / 2)) return PyErr_NoMemory();
    size = (size + 7) & ~(size_t)7;
    if (UNLIKELY(size > (size_t)(pool->limit - pool->next)) && pool_grow(pool, size) < 0) return NULL;
    void *p = pool->next;
    pool->next += size;
    return p;
}

void *pool_zalloc(Pool *pool, size_t size)
{
    void *p = pool_alloc(pool, size);
    if (p) memset(p, 0, size);
    return p;
}

void pool_reset(Pool *pool)
{
    PoolChunk *keep = NULL;
    for (PoolChunk *c = pool->chunks, *older; c; c = older) {
        older = c->older;
        if (!keep && c->size == POOL_CHUNK) keep = c;
        else PyMem_RawFree(c);
    }
    pool->chunks = keep;
    pool->next = pool->limit = NULL;
    if (keep) {
        keep->older = NULL;
        pool->next = (char *)(keep + 1);
        pool->limit = (char *)keep + keep->size;
    }
}

void pool_free(Pool *pool)
{
    for (PoolChunk *c = pool->chunks, *older; c; c = older) {
        older = c->older;
        PyMem_RawFree(c);
    }
    *pool = (Pool){0};
}

/* ---- maps --------------------------------------------------------------------------------------------------------- */

enum { MAP_LINEAR = 8 };

static inline size_t address_hash(const void *key)
{
    return (size_t)(((uint64_t)(uintptr_t)key >> 3) * 0x9E3779B97F4A7C15u >> 32);
}

int namemap_find(const NameMap *map, const void *key)
{
    if (!map->index) {
        for (int i = 0; i < map->count; i++)
            if (map->keys[i] == key) return i;
        return -1;
    }
    size_t mask = (size_t)map->index_size - 1;
    for (size_t at = address_hash(key) & mask; map->index[at]; at = (at + 1) & mask)
        if (map->keys[map->index[at] - 1] == key) return map->index[at] - 1;
    return -1;
}

int namemap_get(const NameMap *map, const void *key, int missing)
{
    int at = namemap_find(map, key);
    return at < 0 ? missing : map->values[at];
}

static void namemap_index(NameMap *map, int position)
{
    size_t mask = (size_t)map->index_size - 1, at = address_hash(map->keys[position]) & mask;
    while (map->index[at]) at = (at + 1) & mask;
    map->index[at] = position + 1;
}

static int namemap_rebuild_index(Arena *arena, NameMap *map, int size)
{
    map->index = arena_alloc(arena, (size_t)size * sizeof(int));
    if (!map->index) return -1;
    map->index_size = size;
    for (int i = 0; i < map->count; i++) namemap_index(map, i);
    return 0;
}

static int namemap_grow(Arena *arena, NameMap *map)
{
    if (map->capacity > INT_MAX / 4) {
        PyErr_NoMemory();
        return -1;
    }
    int capacity = map->capacity ? map->capacity * 2 : MAP_LINEAR;
    PyObject **keys = arena_alloc(arena, (size_t)capacity * sizeof *keys);
    int *values = arena_alloc(arena, (size_t)capacity * sizeof *values);
    if (!keys || !values) return -1;
    if (map->count) {
        memcpy(keys, map->keys, (size_t)map->count * sizeof *keys);
        memcpy(values, map->values, (size_t)map->count * sizeof *values);
    }
    map->keys = keys;
    map->values = values;
    map->capacity = capacity;
    return capacity > MAP_LINEAR ? namemap_rebuild_index(arena, map, capacity * 2) : 0;
}

static int namemap_add(Arena *arena, NameMap *map, const void *key, int value)
{
    if (map->count == map->capacity && namemap_grow(arena, map) < 0) return -1;
    map->keys[map->count] = (PyObject *)key;
    map->values[map->count] = value;
    map->count++;
    if (map->index) namemap_index(map, map->count - 1);
    return 0;
}

int namemap_set(Arena *arena, NameMap *map, const void *key, int value)
{
    int at = namemap_find(map, key);
    if (at < 0) return namemap_add(arena, map, key, value);
    map->values[at] = value;
    return 0;
}

int namemap_number(Arena *arena, NameMap *map, const void *key)
{
    int at = namemap_find(map, key);
    if (at >= 0) return map->values[at];
    int number = map->count;
    return namemap_add(arena, map, key, number) < 0 ? -1 : number;
}

int namemap_discard(NameMap *map, const void *key)
{
    int at = namemap_find(map, key);
    if (at < 0) return 0;
    map->count--;
    memmove(map->keys + at, map->keys + at + 1, (size_t)(map->count - at) * sizeof *map->keys);
    memmove(map->values + at, map->values + at + 1, (size_t)(map->count - at) * sizeof *map->values);
    if (map->index) {                                  /* rare, and never in big maps */
        memset(map->index, 0, (size_t)map->index_size * sizeof(int));
        for (int i = 0; i < map->count; i++) namemap_index(map, i);
    }
    return 1;
}

PyObject *namemap_keys(const NameMap *map)
{
    PyObject *keys = PyTuple_New(map->count);
    if (!keys) return NULL;
    for (int i = 0; i < map->count; i++) PyTuple_SET_ITEM(keys, i, Py_NewRef(map->keys[i]));
    return keys;
}

static int name_compare(const void *a, const void *b)
{
    return PyUnicode_Compare(*(PyObject *const *)a, *(PyObject *const *)b);
}

void names_sort(PyObject **names, Py_ssize_t count)
{
    if (count > 1) qsort(names, (size_t)count, sizeof *names, name_compare);
}

/* ---- constants ---------------------------------------------------------------------------------------------------- */

static Py_hash_t const_hash(PyObject *o)
{
    if (PyTuple_CheckExact(o)) {
        Py_uhash_t h = 0x345678u + (Py_uhash_t)PyTuple_GET_SIZE(o);
        for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(o); i++) {
            Py_hash_t item = const_hash(PyTuple_GET_ITEM(o, i));
            if (item == -1) return -1;
            h = (h ^ (Py_uhash_t)item) * 1000003u;
        }
        return h == (Py_uhash_t)-1 ? -2 : (Py_hash_t)h;
    }
    if (PyCode_Check(o)) {                             /* its own hash would look at everything */
        PyCodeObject *code = (PyCodeObject *)o;
        Py_hash_t h = PyObject_Hash(code->co_name), places = h == -1 ? -1 : PyObject_Hash(code->co_linetable);
        if (places == -1) return -1;
        h ^= places * 31 + code->co_firstlineno * 31 + (Py_hash_t)Py_SIZE(code);
        return h == -1 ? -2 : h;
    }
    if (PyUnicode_CheckExact(o) || PyLong_CheckExact(o) || PyBytes_CheckExact(o) || PyFrozenSet_CheckExact(o) ||
        PyFloat_CheckExact(o) || PyComplex_CheckExact(o) || PyBool_Check(o)) {
        Py_hash_t h = PyObject_Hash(o);
        if (h == -1) return -1;
        h = (Py_hash_t)((Py_uhash_t)h * 31 + ((Py_uhash_t)(uintptr_t)Py_TYPE(o) >> 4));
        return h == -1 ? -2 : h;
    }
    return (Py_hash_t)((uintptr_t)o >> 4);
}

static bool float_same(double a, double b) { return a == b && (a != 0.0 || signbit(a) == signbit(b)); }

static int const_equal(PyObject *a, PyObject *b);

/* Equal sets whose items are the same constants. Items of one set differ as values, so each has at most one partner. */
static int frozenset_same(PyObject *a, PyObject *b)
{
    int same = PyObject_RichCompareBool(a, b, Py_EQ);
    if (same <= 0) return same;
    PyObject *left = PySequence_List(a), *right = PySequence_List(b);
    same = left && right ? 1 : -1;
    for (Py_ssize_t i = 0; same == 1 && i < PyList_GET_SIZE(left); i++) {
        int found = 0;
        for (Py_ssize_t j = 0; !found && j < PyList_GET_SIZE(right); j++)
            found = const_equal(PyList_GET_ITEM(left, i), PyList_GET_ITEM(right, j));
        same = found;
    }
    Py_XDECREF(left);
    Py_XDECREF(right);
    return same;
}

/* Code objects inside are representatives already: unless they are the same object, they differ. Comparing them in depth at each
 * level of nested functions would take cubic time. */
static int code_same(PyCodeObject *a, PyCodeObject *b)
{
    Py_ssize_t n = PyTuple_GET_SIZE(a->co_consts);
    if (n != PyTuple_GET_SIZE(b->co_consts)) return 0;
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *x = PyTuple_GET_ITEM(a->co_consts, i), *y = PyTuple_GET_ITEM(b->co_consts, i);
        if (x != y && PyCode_Check(x) && PyCode_Check(y)) return 0;
    }
    return PyObject_RichCompareBool((PyObject *)a, (PyObject *)b, Py_EQ);
}

/* 1 when one object may stand for both, 0, or -1 with an exception. */
static int const_equal(PyObject *a, PyObject *b)
{
    if (a == b) return 1;
    if (Py_TYPE(a) != Py_TYPE(b)) return 0;
    if (PyUnicode_CheckExact(a) || PyLong_CheckExact(a) || PyBytes_CheckExact(a)) return PyObject_RichCompareBool(a, b, Py_EQ);
    if (PyCode_Check(a)) return code_same((PyCodeObject *)a, (PyCodeObject *)b);
    if (PyFloat_CheckExact(a)) return float_same(PyFloat_AS_DOUBLE(a), PyFloat_AS_DOUBLE(b));
    if (PyComplex_CheckExact(a)) {
        Py_complex x = PyComplex_AsCComplex(a), y = PyComplex_AsCComplex(b);
        return float_same(x.real, y.real) && float_same(x.imag, y.imag);
    }
    if (PyTuple_CheckExact(a)) {
        if (PyTuple_GET_SIZE(a) != PyTuple_GET_SIZE(b)) return 0;
        for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(a); i++) {
            int same = const_equal(PyTuple_GET_ITEM(a, i), PyTuple_GET_ITEM(b, i));
            if (same <= 0) return same;
        }
        return 1;
    }
    if (PyFrozenSet_CheckExact(a)) return frozenset_same(a, b);
    return 0;
}

static int const_cache_grow(ConstCache *cache)
{
    size_t size = cache->size ? cache->size * 2 : 64;
    PyObject **items = PyMem_Calloc(size, sizeof *items);
    Py_hash_t *hashes = PyMem_Malloc(size * sizeof *hashes);
    if (!items || !hashes) {
        PyMem_Free(items);
        PyMem_Free(hashes);
        PyErr_NoMemory();
        return -1;
    }
    for (size_t i = 0; i < cache->size; i++) {
        if (!cache->items[i]) continue;
        size_t at = (size_t)cache->hashes[i] & (size - 1);
        while (items[at]) at = (at + 1) & (size - 1);
        items[at] = cache->items[i];
        hashes[at] = cache->hashes[i];
    }
    PyMem_Free(cache->items);
    PyMem_Free(cache->hashes);
    cache->items = items;
    cache->hashes = hashes;
    cache->size = size;
    return 0;
}

void const_cache_free(ConstCache *cache)
{
    for (size_t i = 0; i < cache->size; i++) Py_XDECREF(cache->items[i]);
    PyMem_Free(cache->items);
    PyMem_Free(cache->hashes);
    *cache = (ConstCache){0};
}

/* A tuple or frozenset whose items are representatives: the same object where nothing changed. STEALS value. */
static PyObject *const_merge_items(ConstCache *cache, PyObject *value)
{
    bool is_tuple = PyTuple_CheckExact(value);
    PyObject *items = is_tuple ? Py_NewRef(value) : PySequence_Tuple(value), *result = NULL;
    if (!items) goto done;
    Py_ssize_t n = PyTuple_GET_SIZE(items);
    PyObject *merged = NULL;
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *item = PyTuple_GET_ITEM(items, i), *same = const_cache_merge_deep(cache, Py_NewRef(item));
        if (!same) {
            Py_XDECREF(merged);
            goto done;
        }
        if (same != item && !merged && !(merged = PyTuple_New(n))) goto done;
        if (!merged || same == item) continue;
        PyTuple_SET_ITEM(merged, i, Py_NewRef(same));
    }
    if (!merged) result = Py_NewRef(value);
    else {
        for (Py_ssize_t i = 0; i < n; i++)
            if (!PyTuple_GET_ITEM(merged, i)) PyTuple_SET_ITEM(merged, i, Py_NewRef(PyTuple_GET_ITEM(items, i)));
        result = is_tuple ? Py_NewRef(merged) : PyFrozenSet_New(merged);
        Py_DECREF(merged);
    }
done:
    Py_XDECREF(items);
    Py_DECREF(value);
    return result;
}

static PyObject *const_merge(ConstCache *cache, PyObject *value, bool deep)
{
    if (!value) return NULL;
    if (value == Py_None || value == Py_Ellipsis) {
        Py_DECREF(value);                              /* immortal */
        return value;
    }
    Py_hash_t hash = const_hash(value);
    if (hash == -1) goto error;
    if (cache->used * 3 >= cache->size * 2 && const_cache_grow(cache) < 0) goto error;
    size_t at;
    for (at = (size_t)hash & (cache->size - 1); cache->items[at]; at = (at + 1) & (cache->size - 1)) {
        if (cache->hashes[at] != hash) continue;
        int same = const_equal(cache->items[at], value);
        if (same < 0) goto error;
        if (same) {
            Py_DECREF(value);
            return cache->items[at];
        }
    }
    if (deep && (PyTuple_CheckExact(value) || PyFrozenSet_CheckExact(value))) {
        value = const_merge_items(cache, value);       /* adds entries: the place has to be found again */
        if (!value || (cache->used * 3 >= cache->size * 2 && const_cache_grow(cache) < 0)) goto error;
        for (at = (size_t)hash & (cache->size - 1); cache->items[at]; at = (at + 1) & (cache->size - 1)) ;
    }
    cache->items[at] = value;
    cache->hashes[at] = hash;
    cache->used++;
    return value;
error:
    Py_XDECREF(value);
    return NULL;
}

PyObject *const_cache_merge(ConstCache *cache, PyObject *value) { return const_merge(cache, value, false); }
PyObject *const_cache_merge_deep(ConstCache *cache, PyObject *value) { return const_merge(cache, value, true); }

int meta_add_const(Arena *arena, CodeMeta *meta, PyObject *value)
{
    int at = namemap_find(&meta->consts_index, value);
    if (at >= 0) return meta->consts_index.values[at];
    if (meta->consts_count == meta->consts_capacity) {
        int capacity = meta->consts_capacity ? meta->consts_capacity * 2 : 8;
        PyObject **consts = arena_alloc(arena, (size_t)capacity * sizeof *consts);
        if (!consts) return -1;
        if (meta->consts_count) memcpy(consts, meta->consts, (size_t)meta->consts_count * sizeof *consts);
        meta->consts = consts;
        meta->consts_capacity = capacity;
    }
    if (namemap_set(arena, &meta->consts_index, value, meta->consts_count) < 0) return -1;
    meta->consts[meta->consts_count] = value;
    return meta->consts_count++;
}

/* ---- instruction lists -------------------------------------------------------------------------------------------- */

static int list_reserve(void **items, int *allocated, int used, size_t item_size)
{
    if (used < *allocated) return 0;
    if (*allocated > INT_MAX / 4) {
        PyErr_NoMemory();
        return -1;
    }
    int wanted = *allocated ? *allocated * 2 : 64;
    void *grown = PyMem_Realloc(*items, (size_t)wanted * item_size);
    if (!grown) {
        PyErr_NoMemory();
        return -1;
    }
    *items = grown;
    *allocated = wanted;
    return 0;
}

int instrs_add(InstrList *list, int opcode, int oparg, Location loc)
{
    if (UNLIKELY(list->used == list->allocated) &&
        list_reserve((void **)&list->items, &list->allocated, list->used, sizeof(Instr)) < 0)
        return -1;
    list->items[list->used++] = (Instr){ opcode, oparg, loc };
    return 0;
}

Label instrs_new_label(InstrList *list)
{
    if (list_reserve((void **)&list->labels, &list->labels_allocated, list->labels_used, sizeof(int)) < 0) return -1;
    list->labels[list->labels_used] = -1;
    return list->labels_used++;
}

int instrs_use_label(InstrList *list, Label label)
{
    list->labels[label] = list->used;
    return 0;
}

int instrs_insert(InstrList *list, int at, int opcode, int oparg, Location loc)
{
    if (instrs_add(list, opcode, oparg, loc) < 0) return -1;
    memmove(list->items + at + 1, list->items + at, (size_t)(list->used - 1 - at) * sizeof(Instr));
    list->items[at] = (Instr){ opcode, oparg, loc };
    for (int i = 0; i < list->labels_used; i++)
        if (list->labels[i] >= at) list->labels[i]++;
    return 0;
}

void instrs_resolve_labels(InstrList *list)
{
    if (!list->labels) return;
    for (int i = 0; i < list->used; i++) {
        Instr *in = &list->items[i];
        if (opcode_has_target(in->opcode)) in->oparg = list->labels[in->oparg];
    }
    PyMem_Free(list->labels);
    list->labels = NULL;
    list->labels_used = list->labels_allocated = 0;
}

void instrs_free(InstrList *list)
{
    PyMem_Free(list->items);
    PyMem_Free(list->labels);
    *list = (InstrList){0};
}

/* ---- names -------------------------------------------------------------------------------------------------------- */

PyObject *compile_mangle(PyObject *private, PyObject *name)
{
    if (!private || !PyUnicode_Check(private)) return Py_NewRef(name);
    Py_ssize_t n = PyUnicode_GET_LENGTH(name), p = PyUnicode_GET_LENGTH(private), skip = 0;
    if (n < 2 || PyUnicode_READ_CHAR(name, 0) != '_' || PyUnicode_READ_CHAR(name, 1) != '_') return Py_NewRef(name);
    if ((PyUnicode_READ_CHAR(name, n - 1) == '_' && PyUnicode_READ_CHAR(name, n - 2) == '_') ||
        PyUnicode_FindChar(name, '.', 0, n, 1) >= 0)
        return Py_NewRef(name);                        /* __spam__, or the whole name of a module */
    while (skip < p && PyUnicode_READ_CHAR(private, skip) == '_') skip++;
    if (skip == p) return Py_NewRef(name);             /* the class has no name but underscores */
    if (p - skip > PY_SSIZE_T_MAX - n - 1) {
        PyErr_SetString(PyExc_OverflowError, "private identifier too large to be mangled");
        return NULL;
    }
    PyObject *stem = PyUnicode_Substring(private, skip, p);
    PyObject *mangled = stem ? PyUnicode_FromFormat("_%U%U", stem, name) : NULL;
    Py_XDECREF(stem);
    if (mangled) PyUnicode_InternInPlace(&mangled);
    return mangled;
}

PyObject *mangle_name(Arena *arena, PyObject *private, PyObject *name)
{
    if (!name || !private || PyUnicode_GET_LENGTH(name) < 3 || PyUnicode_READ_CHAR(name, 0) != '_' || PyUnicode_READ_CHAR(name, 1) != '_')
        return name;
    PyObject *mangled = compile_mangle(private, name);
    if (!mangled || arena_own(arena, mangled) < 0) return NULL;
    return mangled;
}

PyObject *mangle_maybe(Arena *arena, PyObject *private, const Scope *scope, PyObject *name)
{
    if (scope && scope->mangled_names && !namemap_has(scope->mangled_names, name)) return name;
    return mangle_name(arena, private, name);
}

/* ---- errors ------------------------------------------------------------------------------------------------------- */

int compile_error_at_v(PyObject *filename, Location loc, const char *format, va_list args)
{
    PyObject *message = PyUnicode_FromFormatV(format, args), *line = NULL, *details = NULL;
    if (!message) return -1;
    line = PyErr_ProgramTextObject(filename, loc.lineno);
    if (!line) {
        if (PyErr_Occurred()) PyErr_Clear();
        line = Py_NewRef(Py_None);
    }
    details = Py_BuildValue("O(OiiOii)", message, filename, loc.lineno, loc.col_offset + 1, line, loc.end_lineno,
                            loc.end_col_offset + 1);
    if (details) PyErr_SetObject(PyExc_SyntaxError, details);
    Py_XDECREF(details);
    Py_DECREF(line);
    Py_DECREF(message);
    return -1;
}

int compile_error_at(PyObject *filename, Location loc, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    compile_error_at_v(filename, loc, format, args);
    va_end(args);
    return -1;
}

/* Where the caller of compile() remembers what it has shown: a line is warned about once, also when it is compiled twice. New;
 * NULL without an exception: no Python code runs. */
static PyObject *warning_registry(void)
{
    PyObject *globals = PyEval_GetFrameGlobals(), *registry = NULL;
    if (!globals) return NULL;
    if (PyDict_Check(globals) && PyDict_GetItemRef(globals, STR(__warningregistry__), &registry) == 0) {
        registry = PyDict_New();
        if (registry && PyDict_SetItem(globals, STR(__warningregistry__), registry) < 0) Py_CLEAR(registry);
    }
    if (registry && !PyDict_Check(registry)) Py_CLEAR(registry);
    Py_DECREF(globals);
    return registry;
}

int compile_warn_at(PyObject *filename, Location loc, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    PyObject *message = PyUnicode_FromFormatV(format, args);
    va_end(args);
    if (!message) return -1;
    PyObject *registry = warning_registry();
    if (!registry && PyErr_Occurred()) {
        Py_DECREF(message);
        return -1;
    }
    int status = PyErr_WarnExplicitObject(PyExc_SyntaxWarning, message, filename, loc.lineno, NULL, registry);
    Py_XDECREF(registry);
    if (status < 0 && PyErr_ExceptionMatches(PyExc_SyntaxWarning)) {
        PyErr_Clear();                                 /* an error with a place says more than a warning turned exception */
        compile_error_at(filename, loc, "%U", message);
    }
    Py_DECREF(message);
    return status < 0 ? -1 : 0;
}
