/* The debug hooks: allocators over the present ones that notice overruns, double frees, frees through the wrong interface and
 * calls without the GIL. PYTHONMALLOC=debug, -X dev or PyMem_SetupDebugHooks() put them there; nothing asks for them otherwise.
 *
 *     p-16          p-8   p-7              p            p+n             p+n+8
 *     | n, big end. | API | 7 x FORBIDDEN  | n bytes    | 8 x FORBIDDEN |
 *
 * The texts of the reports are CPython's, names of functions included.
 *
 * A collectable object must begin where its slot does (the collector walks slots), so its header lies in front of the slot:
 * a heap that is made while the hooks are on is `guarded`, its collectable pages begin GUARD_HEAD bytes late, and a header takes
 * the last bytes of the slot before. Objects of a heap made earlier have no header and are not checked. */
#include "memory/alloc.h"
#include "memory/tracing.h"
#include "runtime/runtime_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    CLEAN = 0xcd, DEAD = 0xdd, FORBIDDEN = 0xfd,
    WORD = sizeof(size_t),
    GUARD_EXTRA = GUARD_HEAD + WORD,         /* header and trailer */
    ERASED = 64,                             /* bytes at either end that a realloc makes unusable in the old block */
    SHOWN = 8,                               /* bytes at either end of the data that a report shows */
};

static const char api_of[3] = { 'r', 'm', 'o' };
static const DebugDomain domain_of[3] = { { PYMEM_DOMAIN_RAW }, { PYMEM_DOMAIN_MEM }, { PYMEM_DOMAIN_OBJ } };

static const PyMemAllocatorEx *below_of(const DebugDomain *d) { return &_PyRuntime.memory.below_debug[d->domain]; }

/* ---- the block ---------------------------------------------------------------------------------------------------- */

static size_t size_read(const uint8_t *p)
{
    size_t big;
    memcpy(&big, p - 2 * WORD, WORD);
    return __builtin_bswap64(big);
}

/* Header and trailer of the block whose n bytes begin at p. */
static void guards_write(uint8_t *p, size_t n, char api)
{
    size_t big = __builtin_bswap64(n);
    memcpy(p - 2 * WORD, &big, WORD);
    p[-WORD] = (uint8_t)api;
    memset(p - WORD + 1, FORBIDDEN, WORD - 1);
    memset(p + n, FORBIDDEN, WORD);
}

/* An object that was allocated without header: its heap is older than the hooks. */
static bool is_unguarded(const void *p)
{
    if (!heap_owns(p)) return false;
    const PageHeader *page = page_of(p);
    return page->kind >= PAGE_COLLECTABLE && !heap_of(page)->guarded;
}

/* ---- reports ------------------------------------------------------------------------------------------------------- */

static void pad_report(const uint8_t *from, size_t count, const char *name, size_t first, int step)
{
    bool good = true;
    for (size_t i = 0; i < count; i++) good &= from[i] == FORBIDDEN;
    if (good) {
        fputs("FORBIDDENBYTE, as expected.\n", stderr);
        return;
    }
    fprintf(stderr, "not all FORBIDDENBYTE (0x%02x):\n", FORBIDDEN);
    for (size_t i = 0; i < count; i++, first += (size_t)step)
        fprintf(stderr, "        at %s%zu: 0x%02x%s\n", name, first, from[i], from[i] == FORBIDDEN ? "" : " *** OUCH");
    if (step < 0)
        fputs("    Because memory is corrupted at the start, the count of bytes requested\n"
              "       may be bogus, and checking the trailing pad bytes may segfault.\n", stderr);
}

static void data_report(const uint8_t *p, size_t n)
{
    if (n == 0) return;
    fputs("    Data at p:", stderr);
    for (size_t i = 0; i < n; i++) {
        if (i == SHOWN && n > 2 * SHOWN) {
            fputs(" ...", stderr);
            i = n - SHOWN;
        }
        fprintf(stderr, " %02x", p[i]);
    }
    fputc('\n', stderr);
}

static COLD void block_report(const uint8_t *p)
{
    fprintf(stderr, "Debug memory block at address p=%p:", (const void *)p);
    if (!p) {
        fputc('\n', stderr);
        return;
    }
    size_t n = size_read(p);
    fprintf(stderr, " API '%c'\n    %zu bytes originally requested\n    The %d pad bytes at p-%d are ", p[-WORD], n, WORD - 1, WORD - 1);
    pad_report(p - WORD + 1, WORD - 1, "p-", WORD - 1, -1);
    const uint8_t *tail = p + n;
    fprintf(stderr, "    The %d pad bytes at tail=%p are ", WORD, (const void *)tail);
    fflush(stderr);                          /* what follows may be an access to nowhere */
    pad_report(tail, WORD, "tail+", 0, 1);
    data_report(p, n);
    fputc('\n', stderr);
    tracing_dump_block(stderr, (uintptr_t)p);
    fflush(stderr);
}

static COLD void _Py_NO_RETURN block_fatal(const char *function, const uint8_t *p, const char *message)
{
    block_report(p);
    _Py_FatalErrorFunc(function, message);
}

static bool all_forbidden(const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i] != FORBIDDEN) return false;
    return true;
}

static void block_check(const char *function, const DebugDomain *d, const uint8_t *p)
{
    char api = api_of[d->domain];
    if (UNLIKELY(p[-WORD] != (uint8_t)api)) {
        char message[80];
        snprintf(message, sizeof message, "bad ID: Allocated using API '%c', verified using API '%c'", p[-WORD], api);
        block_fatal(function, p, message);
    }
    if (UNLIKELY(!all_forbidden(p - WORD + 1, WORD - 1))) block_fatal(function, p, "bad leading pad byte");
    if (UNLIKELY(!all_forbidden(p + size_read(p), WORD))) block_fatal(function, p, "bad trailing pad byte");
}

static inline void gil_check(const char *function, const DebugDomain *d)
{
    if (d->domain != PYMEM_DOMAIN_RAW && UNLIKELY(!PyGILState_Check()))
        _Py_FatalErrorFunc(function, "Python memory allocator called without holding the GIL");
}

/* ---- the allocators ------------------------------------------------------------------------------------------------- */

/* The heap that is asking for an object of this size just now (heap_alloc_hooked), or NULL. */
static Heap *wanting(size_t size)
{
    Thread *t = thread_get();
    return t && t->heap->wanted_size && t->heap->wanted_size == size ? t->heap : NULL;
}

/* total: what to ask below for. True: an object that can have no header. */
static inline bool object_prepare(size_t size, size_t *total)
{
    Heap *heap = wanting(size);
    if (LIKELY(!heap)) return false;
    if (heap->wanted_kind != PAGE_PLAIN) {
        if (!heap->guarded) return true;
        heap->wanted_shift = GUARD_HEAD;
    }
    heap->wanted_size = *total = (*total + 15) & ~(size_t)15;         /* the object stays 16-aligned */
    return false;
}

static inline void *block_new(const DebugDomain *d, size_t size, bool zero)
{
    const PyMemAllocatorEx *below = below_of(d);
    if (UNLIKELY(size > (size_t)PY_SSIZE_T_MAX - GUARD_EXTRA - 16)) return NULL;
    size_t total = size + GUARD_EXTRA;
    if (d->domain == PYMEM_DOMAIN_OBJ && object_prepare(size, &total)) return below->malloc(below->ctx, size);
    uint8_t *head = zero ? below->calloc(below->ctx, 1, total) : below->malloc(below->ctx, total);
    if (UNLIKELY(!head)) return NULL;
    uint8_t *p = head + GUARD_HEAD;
    guards_write(p, size, api_of[d->domain]);
    if (!zero) memset(p, CLEAN, size);
    return p;
}

static void *debug_malloc(void *context, size_t size)
{
    gil_check("_PyMem_DebugMalloc", context);
    return block_new(context, size, false);
}

static void *debug_calloc(void *context, size_t n, size_t size)
{
    gil_check("_PyMem_DebugCalloc", context);
    size_t total;
    if (__builtin_mul_overflow(n, size, &total)) return NULL;
    return block_new(context, total, true);
}

/* The old block's ends are made unusable before the call below, because afterwards it may not be ours; what of them belongs to
 * the new block, or to the old one when the call fails, is written back. */
static void *block_resize(const DebugDomain *d, uint8_t *p, size_t size)
{
    const PyMemAllocatorEx *below = below_of(d);
    block_check("_PyMem_DebugRawRealloc", d, p);
    if (UNLIKELY(size > (size_t)PY_SSIZE_T_MAX - GUARD_EXTRA - 16)) return NULL;
    size_t old = size_read(p), all = old + GUARD_EXTRA;
    size_t front = all < ERASED ? all : ERASED, back = all - front < ERASED ? all - front : ERASED;
    uint8_t saved[2 * ERASED], *head = p - GUARD_HEAD;
    memcpy(saved, head, front);
    memcpy(saved + front, head + all - back, back);
    memset(head, DEAD, front);
    memset(head + all - back, DEAD, back);
    uint8_t *moved = below->realloc(below->ctx, head, size + GUARD_EXTRA);
    uint8_t *now = moved ? moved : head;
    size_t kept = moved && size < old ? size + GUARD_EXTRA : all;      /* bytes from `now` on that may be written */
    memcpy(now, saved, front < kept ? front : kept);
    if (kept > all - back) memcpy(now + all - back, saved + front, kept - (all - back));
    if (!moved) return NULL;
    p = now + GUARD_HEAD;
    guards_write(p, size, api_of[d->domain]);
    if (size > old) memset(p + old, CLEAN, size - old);
    return p;
}

static void *debug_realloc(void *context, void *p, size_t size)
{
    gil_check("_PyMem_DebugRealloc", context);
    if (!p) return block_new(context, size, false);
    const PyMemAllocatorEx *below = below_of(context);
    if (UNLIKELY(is_unguarded(p))) return below->realloc(below->ctx, p, size);
    return block_resize(context, p, size);
}

static void debug_free(void *context, void *p)
{
    gil_check("_PyMem_DebugFree", context);
    if (!p) return;
    const DebugDomain *d = context;
    const PyMemAllocatorEx *below = below_of(d);
    if (LIKELY(!is_unguarded(p))) {
        block_check("_PyMem_DebugRawFree", d, p);
        memset((uint8_t *)p - GUARD_HEAD, DEAD, size_read(p) + GUARD_EXTRA);
        p = (uint8_t *)p - GUARD_HEAD;
    }
    below->free(below->ctx, p);
}

/* ---- switching ------------------------------------------------------------------------------------------------------ */

bool memory_is_debug_hook(const PyMemAllocatorEx *allocator) { return allocator->malloc == debug_malloc; }

void memory_debug_check(const PyMemAllocatorEx *hook, void *p)
{
    if (!is_unguarded(p)) block_check("_PyMem_DebugRawFree", hook->ctx, p);
}

void PyMem_SetupDebugHooks(void)
{
    MemoryProcess *memory = &_PyRuntime.memory;
    memory->guards_objects = true;
    for (int i = PYMEM_DOMAIN_RAW; i <= PYMEM_DOMAIN_OBJ; i++) {
        PyMemAllocatorEx present;
        PyMem_GetAllocator((PyMemAllocatorDomain)i, &present);
        if (memory_is_debug_hook(&present)) continue;
        memory->below_debug[i] = present;
        PyMemAllocatorEx checked = { (void *)&domain_of[i], debug_malloc, debug_calloc, debug_realloc, debug_free };
        PyMem_SetAllocator((PyMemAllocatorDomain)i, &checked);
    }
}

/* True when a pointer is one that uninitialised or freed memory would hold. For tests. */
bool memory_is_freed_pointer(const void *p)
{
    uintptr_t value = (uintptr_t)p, ones = UINTPTR_MAX / 0xff;
    return value == 0 || value == CLEAN * ones || value == DEAD * ones || value == FORBIDDEN * ones;
}
