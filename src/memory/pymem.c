/* The exported allocators: PyMem_Raw*, PyMem_*, PyObject_*, and how they are replaced.
 *
 * Invariants: a block up to LARGEST_CLASS_SIZE from PyMem_* or PyObject_* lies in our pages, rounded up to 16 bytes because
 * foreign code counts on that alignment; larger ones and all raw ones come from malloc. A block is freed by where it lies,
 * so blocks that were allocated before an allocator was replaced are still freed correctly by ours when it asks for it. */
#include "memory/alloc.h"
#include "objects/instance.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <wchar.h>

/* ---- the default allocators -------------------------------------------------------------------------------------- */

static void *raw_malloc(void *context, size_t size) { return malloc(size ? size : 1); }
static void *raw_calloc(void *context, size_t n, size_t size) { return n && size ? calloc(n, size) : calloc(1, 1); }
static void *raw_realloc(void *context, void *p, size_t size) { return realloc(p, size ? size : 1); }
static void raw_free(void *context, void *p) { free(p); }

static COLD NOINLINE void *wanted_alloc(Heap *heap, size_t size)
{
    size_t shift = heap->wanted_shift;
    heap->wanted_size = heap->wanted_shift = 0;
    char *p = heap_alloc_direct(heap, (PageKind)heap->wanted_kind, size);
    return p ? p - shift : NULL;
}

static void *pages_malloc(void *context, size_t size)
{
    Thread *t = thread_get();
    if (UNLIKELY(!t)) return malloc(size ? size : 1);
    if (UNLIKELY(t->heap->wanted_size) && size == t->heap->wanted_size) {        /* heap_alloc_hooked's request */
        return wanted_alloc(t->heap, size);
    }
    if (UNLIKELY(size > LARGEST_CLASS_SIZE)) return malloc(size);
    return heap_alloc_direct(t->heap, PAGE_PLAIN, size ? (size + 15) & ~(size_t)15 : 16);
}

static void *pages_calloc(void *context, size_t n, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow(n, size, &total)) return NULL;
    if (total > LARGEST_CLASS_SIZE) return calloc(1, total);
    void *p = pages_malloc(context, total);
    if (p) memset(p, 0, total);
    return p;
}

static void pages_free(void *context, void *p)
{
    if (!p) return;
    if (LIKELY(heap_owns(p))) heap_free_direct(p);
    else free(p);
}

static void *pages_realloc(void *context, void *p, size_t size)
{
    if (!p) return pages_malloc(context, size);
    if (!heap_owns(p)) return realloc(p, size ? size : 1);
    PageHeader *page = page_of(p);
    size_t old = page->span ? (size_t)page->span * PAGE_SIZE : page->slot_size;
    if (size <= old && size >= old / 2) return p;
    void *moved = pages_malloc(context, size);
    if (!moved) return size <= old ? p : NULL;
    memcpy(moved, p, size < old ? size : old);
    heap_free_direct(p);
    return moved;
}

/* PYTHONMALLOC=malloc: what our own code asks for as an object still lies in pages, where it must be; the rest comes from malloc. */
static void *system_malloc(void *context, size_t size)
{
    Thread *t = thread_get();
    if (t && t->heap->wanted_size && size == t->heap->wanted_size) return wanted_alloc(t->heap, size);
    return malloc(size ? size : 1);
}

static void *system_calloc(void *context, size_t n, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow(n, size, &total)) return NULL;
    void *p = system_malloc(context, total);
    if (p) memset(p, 0, total);
    return p;
}

static void *system_realloc(void *context, void *p, size_t size)
{
    if (!p) return system_malloc(context, size);
    return heap_owns(p) ? pages_realloc(context, p, size) : realloc(p, size ? size : 1);
}

static void *arena_alloc(void *context, size_t size)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return p == MAP_FAILED ? NULL : p;
}
static void arena_free(void *context, void *p, size_t size) { munmap(p, size); }

static const PyMemAllocatorEx raw_allocator = { NULL, raw_malloc, raw_calloc, raw_realloc, raw_free };
static const PyMemAllocatorEx pages_allocator = { NULL, pages_malloc, pages_calloc, pages_realloc, pages_free };
static const PyMemAllocatorEx system_allocator = { NULL, system_malloc, system_calloc, system_realloc, pages_free };
static const PyObjectArenaAllocator mmap_arena = { NULL, arena_alloc, arena_free };

static const PyMemAllocatorEx *default_allocator(PyMemAllocatorDomain domain)
{
    return domain == PYMEM_DOMAIN_RAW ? &raw_allocator : &pages_allocator;
}

#define REPLACED(domain) UNLIKELY(_PyRuntime.memory.replaced[domain])
#define ALLOCATOR(domain) (&_PyRuntime.memory.allocator[domain])

void PyMem_GetAllocator(PyMemAllocatorDomain domain, PyMemAllocatorEx *allocator)
{
    if ((unsigned)domain > PYMEM_DOMAIN_OBJ) memset(allocator, 0, sizeof *allocator);
    else *allocator = REPLACED(domain) ? *ALLOCATOR(domain) : *default_allocator(domain);
}

void PyMem_SetAllocator(PyMemAllocatorDomain domain, PyMemAllocatorEx *allocator)
{
    if ((unsigned)domain > PYMEM_DOMAIN_OBJ) return;
    *ALLOCATOR(domain) = *allocator;
    bool replaced = memcmp(allocator, default_allocator(domain), sizeof *allocator) != 0;
    _PyRuntime.memory.replaced[domain] = replaced;
    if (domain != PYMEM_DOMAIN_OBJ) return;
    pthread_mutex_lock(&_PyRuntime.runtime.lists);
    for (Interpreter *interp = _PyRuntime.runtime.interpreters; interp; interp = interp->runtime.next)
        heap_set_hooked(&interp->heap, memory_objects_are_hooked());
    for (Interpreter *interp = _PyRuntime.runtime.ended; interp; interp = interp->runtime.next)
        heap_set_hooked(&interp->heap, memory_objects_are_hooked());
    pthread_mutex_unlock(&_PyRuntime.runtime.lists);
}

bool memory_objects_are_hooked(void)
{
    return REPLACED(PYMEM_DOMAIN_OBJ) && memcmp(ALLOCATOR(PYMEM_DOMAIN_OBJ), &system_allocator, sizeof system_allocator) != 0;
}

/* ---- the choice of PYTHONMALLOC ----------------------------------------------------------------------------------- */

static const struct { const char *name; uint8_t which, family; bool debug; } allocator_names[] = {
    { "default", PYMEM_ALLOCATOR_DEFAULT, PYMEM_ALLOCATOR_PYMALLOC, false },
    { "debug", PYMEM_ALLOCATOR_DEBUG, PYMEM_ALLOCATOR_PYMALLOC, true },
    { "pymalloc", PYMEM_ALLOCATOR_PYMALLOC, PYMEM_ALLOCATOR_PYMALLOC, false },
    { "pymalloc_debug", PYMEM_ALLOCATOR_PYMALLOC_DEBUG, PYMEM_ALLOCATOR_PYMALLOC, true },
    { "mimalloc", PYMEM_ALLOCATOR_MIMALLOC, PYMEM_ALLOCATOR_MIMALLOC, false },          /* ours too: the name alone differs */
    { "mimalloc_debug", PYMEM_ALLOCATOR_MIMALLOC_DEBUG, PYMEM_ALLOCATOR_MIMALLOC, true },
    { "malloc", PYMEM_ALLOCATOR_MALLOC, PYMEM_ALLOCATOR_MALLOC, false },
    { "malloc_debug", PYMEM_ALLOCATOR_MALLOC_DEBUG, PYMEM_ALLOCATOR_MALLOC, true },
};
enum { ALLOCATOR_NAMES = sizeof allocator_names / sizeof *allocator_names };

int memory_allocators_parse(const char *name, int *which)
{
    for (int i = 0; i < ALLOCATOR_NAMES; i++) {
        if (strcmp(name, allocator_names[i].name) != 0) continue;
        *which = allocator_names[i].which;
        return 0;
    }
    return -1;
}

static const PyMemAllocatorEx *family_allocator(int family, PyMemAllocatorDomain domain)
{
    return family == PYMEM_ALLOCATOR_MALLOC && domain != PYMEM_DOMAIN_RAW ? &system_allocator : default_allocator(domain);
}

int memory_allocators_set(int which)
{
    for (int i = 0; i < ALLOCATOR_NAMES; i++) {
        if (allocator_names[i].which != which) continue;
        _PyRuntime.memory.family = allocator_names[i].family;
        for (int domain = PYMEM_DOMAIN_RAW; domain <= PYMEM_DOMAIN_OBJ; domain++) {
            PyMemAllocatorEx chosen = *family_allocator(allocator_names[i].family, (PyMemAllocatorDomain)domain);
            PyMem_SetAllocator((PyMemAllocatorDomain)domain, &chosen);
        }
        if (allocator_names[i].debug) PyMem_SetupDebugHooks();
        return 0;
    }
    return -1;
}

const char *memory_allocators_name(void)
{
    const MemoryProcess *memory = &_PyRuntime.memory;
    int family = memory->family ? memory->family : PYMEM_ALLOCATOR_PYMALLOC, debug = -1;
    for (int domain = PYMEM_DOMAIN_RAW; domain <= PYMEM_DOMAIN_OBJ; domain++) {
        PyMemAllocatorEx now;
        PyMem_GetAllocator((PyMemAllocatorDomain)domain, &now);
        int hooked = memory_is_debug_hook(&now);
        if (debug >= 0 && hooked != debug) return NULL;
        debug = hooked;
        if (hooked) now = memory->below_debug[domain];
        if (memcmp(&now, family_allocator(family, (PyMemAllocatorDomain)domain), sizeof now) != 0) return NULL;
    }
    const char *name = NULL;                 /* the last that fits: "pymalloc" rather than "default" */
    for (int i = 0; i < ALLOCATOR_NAMES; i++)
        if (allocator_names[i].family == family && allocator_names[i].debug == debug) name = allocator_names[i].name;
    return name;
}

void PyObject_GetArenaAllocator(PyObjectArenaAllocator *allocator)
{
    *allocator = _PyRuntime.memory.arena.alloc ? _PyRuntime.memory.arena : mmap_arena;
}

void PyObject_SetArenaAllocator(PyObjectArenaAllocator *allocator) { _PyRuntime.memory.arena = *allocator; }

/* ---- the exported functions -------------------------------------------------------------------------------------- */

#define TOO_LARGE(size) UNLIKELY((size) > (size_t)PY_SSIZE_T_MAX)
#define TOO_MANY(n, size) UNLIKELY((size) != 0 && (n) > (size_t)PY_SSIZE_T_MAX / (size))

/* A slot that an object got although the hook has memory of its own (heap_alloc_hooked). */
static COLD bool is_ours_alone(const void *p)
{
    Thread *t = thread_get();
    return t && t->heap->hook_is_foreign && heap_owns(p);
}

#define DEFINE_ALLOCATOR(prefix, domain, default_functions)                                                             \
    void *prefix##Malloc(size_t size)                                                                                   \
    {                                                                                                                   \
        if (TOO_LARGE(size)) return NULL;                                                                               \
        if (REPLACED(domain)) return ALLOCATOR(domain)->malloc(ALLOCATOR(domain)->ctx, size);                           \
        return default_functions##_malloc(NULL, size);                                                                  \
    }                                                                                                                   \
    void *prefix##Calloc(size_t n, size_t size)                                                                         \
    {                                                                                                                   \
        if (TOO_MANY(n, size)) return NULL;                                                                             \
        if (REPLACED(domain)) return ALLOCATOR(domain)->calloc(ALLOCATOR(domain)->ctx, n, size);                        \
        return default_functions##_calloc(NULL, n, size);                                                               \
    }                                                                                                                   \
    void *prefix##Realloc(void *p, size_t size)                                                                         \
    {                                                                                                                   \
        if (TOO_LARGE(size)) return NULL;                                                                               \
        if (REPLACED(domain)) return ALLOCATOR(domain)->realloc(ALLOCATOR(domain)->ctx, p, size);                       \
        return default_functions##_realloc(NULL, p, size);                                                              \
    }                                                                                                                   \
    void prefix##Free(void *p)                                                                                          \
    {                                                                                                                   \
        if (REPLACED(domain) && !is_ours_alone(p)) ALLOCATOR(domain)->free(ALLOCATOR(domain)->ctx, p);                  \
        else default_functions##_free(NULL, p);                                                                         \
    }

DEFINE_ALLOCATOR(PyMem_Raw, PYMEM_DOMAIN_RAW, raw)
DEFINE_ALLOCATOR(PyMem_, PYMEM_DOMAIN_MEM, pages)
DEFINE_ALLOCATOR(PyObject_, PYMEM_DOMAIN_OBJ, pages)

/* ---- objects ------------------------------------------------------------------------------------------------------ */

/* The size of an instance with n items, rounded up to words; foreign variable-sized types get multiples of 16. */
static size_t var_size(PyTypeObject *type, Py_ssize_t n)
{
    size_t size = (size_t)type->tp_basicsize + (size_t)n * (size_t)type->tp_itemsize;
    return (size + 7) & ~(size_t)7;
}

PyObject *_PyObject_New(PyTypeObject *type)
{
    PyObject *o = type->tp_basicsize > LARGEST_CLASS_SIZE
                      ? PyObject_Malloc((size_t)type->tp_basicsize)
                      : heap_alloc(thread_get()->heap, PAGE_PLAIN, (size_t)type->tp_basicsize);
    return o ? PyObject_Init(o, type) : PyErr_NoMemory();
}

PyVarObject *_PyObject_NewVar(PyTypeObject *type, Py_ssize_t n)
{
    PyVarObject *o = PyObject_Malloc(var_size(type, n));
    return o ? PyObject_InitVar(o, type, n) : (PyVarObject *)PyErr_NoMemory();
}

/* Hidden bytes in front of an instance: the word with its shape or __dict__, two words where the layout wants 16. */
static size_t type_prefix(PyTypeObject *type)
{
    return instance_prefix(type);
}

static PyObject *gc_new(PyTypeObject *type, size_t size)
{
    size_t prefix = type_prefix(type);
    PyObject *o = gc_alloc(thread_get(), type, size, prefix);
    if (o && prefix) memset((char *)o - prefix, 0, prefix);
    return o;
}

PyObject *_PyObject_GC_New(PyTypeObject *type)
{
    return gc_new(type, ((size_t)type->tp_basicsize + 7) & ~(size_t)7);
}

PyVarObject *_PyObject_GC_NewVar(PyTypeObject *type, Py_ssize_t n)
{
    if (UNLIKELY(n < 0)) {
        PyErr_BadInternalCall();
        return NULL;
    }
    PyVarObject *o = (PyVarObject *)gc_new(type, var_size(type, n));
    if (o) Py_SET_SIZE(o, n);
    return o;
}

PyObject *PyUnstable_Object_GC_NewWithExtraData(PyTypeObject *type, size_t extra)
{
    PyObject *o = gc_new(type, ((size_t)type->tp_basicsize + extra + 7) & ~(size_t)7);
    if (o) memset((char *)o + sizeof(PyObject), 0, (size_t)type->tp_basicsize + extra - sizeof(PyObject));
    return o;
}

/* Of an untracked object with one reference. On failure the old object is left as it was. */
PyVarObject *_PyObject_GC_Resize(PyVarObject *o, Py_ssize_t n)
{
    Thread *t = thread_get();
    PyTypeObject *type = Py_TYPE(o);
    size_t old = var_size(type, Py_SIZE(o));
    if (n < 0 || (type->tp_itemsize && (size_t)n > ((size_t)PY_SSIZE_T_MAX - (size_t)type->tp_basicsize) / (size_t)type->tp_itemsize))
        return (PyVarObject *)PyErr_NoMemory();
    size_t new = var_size(type, n), prefix = type_prefix(type);
    char *p = heap_alloc(t->heap, gc_page_kind(prefix), new + prefix);
    if (!p) return (PyVarObject *)PyErr_NoMemory();
    memcpy(p, (char *)o - prefix, prefix + (old < new ? old : new));
    t->ts.interp->gc.young_count++;
    gc_free(t, (PyObject *)o, prefix);
    PyVarObject *moved = (PyVarObject *)(p + prefix);
    Py_SET_SIZE(moved, n);
    return moved;
}

void PyObject_GC_Del(void *o)
{
    PageHeader *page = page_of(o);
    char *slot = page->slots + (size_t)slot_index(page, o) * page->slot_size;
    gc_free(thread_get(), o, (size_t)((char *)o - slot));
}

#undef PyObject_GC_Track
void PyObject_GC_Track(void *o)
{
    if (UNLIKELY(gc_is_tracked(o))) Py_FatalError("object already tracked by the garbage collector");
    gc_track(thread_get(), o);
}

void PyObject_GC_UnTrack(void *o)
{
    if (!_Py_IsImmortal(o) && gc_is_tracked(o)) gc_untrack(thread_get(), o);
}

int PyObject_IS_GC(PyObject *o)
{
    PyTypeObject *type = Py_TYPE(o);
    return PyType_IS_GC(type) && (!type->tp_is_gc || type->tp_is_gc(o));
}

int PyObject_GC_IsTracked(PyObject *o)
{
    return PyObject_IS_GC(o) && heap_owns(o) && gc_is_tracked(o);
}

bool gc_is_finalized(PyObject *o) { return PyObject_IS_GC(o) && heap_owns(o) && (*slot_state(o) & SLOT_FINALIZED); }
void gc_set_finalized(PyObject *o) { if (PyObject_IS_GC(o) && heap_owns(o)) *slot_state(o) |= SLOT_FINALIZED; }
int PyObject_GC_IsFinalized(PyObject *o) { return gc_is_finalized(o); }
