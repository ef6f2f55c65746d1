/* The inline paths of allocation, freeing and tracking. See memory.h for the layout. */
#ifndef TAIPAN_MEMORY_ALLOC_H
#define TAIPAN_MEMORY_ALLOC_H

#include "runtime/state.h"

static inline PageHeader *page_of(const void *p)
{
    uintptr_t a = (uintptr_t)p;
    Segment *segment = (Segment *)(a & ~(uintptr_t)(SEGMENT_SIZE - 1));
    return &segment->pages[(a & (SEGMENT_SIZE - 1)) >> PAGE_SHIFT];
}

static inline Heap *heap_of(const PageHeader *page) { return ((Segment *)((uintptr_t)page & ~(uintptr_t)(SEGMENT_SIZE - 1)))->heap; }

static inline uint32_t slot_index(const PageHeader *page, const void *p)
{
    return (uint32_t)(((uint64_t)(uint32_t)((const char *)p - page->slots) * page->reciprocal) >> 32);
}

/* Of an object of a collectable type (never static or immortal memory of another kind). */
static inline uint8_t *slot_state(const void *o)
{
    PageHeader *page = page_of(o);
    return &page->state[slot_index(page, o)];
}

static inline unsigned size_class(size_t size)
{
    if (LIKELY(size <= 1024)) return (unsigned)((size + 7) >> 3);
    unsigned shift = 63u - (unsigned)__builtin_clzll(size - 1) - 3;    /* eight classes to a doubling */
    return SMALL_CLASSES + (shift - 7) * 8 + (unsigned)((size - 1) >> shift) - 7;
}

/* Under AddressSanitizer plain blocks come from malloc, and freed collectable slots are poisoned: it then sees use after free. */
#if defined(__SANITIZE_ADDRESS__)
#define HEAP_CHECKED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HEAP_CHECKED 1
#endif
#endif
#ifdef HEAP_CHECKED
#include <sanitizer/asan_interface.h>
#include <stdlib.h>
#define HEAP_UNPOISON(p, size) __asan_unpoison_memory_region(p, size)
#define HEAP_POISON(p, page)                                                     /* a guarded slot ends with the next one's header */ \
    __asan_poison_memory_region((char *)(p) + sizeof(void *), (page)->slot_size - sizeof(void *) - (heap_of(page)->guarded ? GUARD_HEAD : 0))
#else
#define HEAP_UNPOISON(p, size) ((void)0)
#define HEAP_POISON(p, page) ((void)0)
#endif

/* What the allocators themselves are made of: no hook sees these two. */
static ALWAYS_INLINE void *heap_alloc_direct(Heap *heap, PageKind kind, size_t size)
{
#ifdef HEAP_CHECKED
    if (kind == PAGE_PLAIN) return malloc(size);
#endif
    if (UNLIKELY(size > 1024)) return heap_take(heap, kind, size);
    PageHeader *page = heap->bins[kind][(size + 7) >> 3];
    void *p = page->free;
    if (UNLIKELY(!p)) return heap_take(heap, kind, size);
    page->free = *(void **)p;
    page->used++;
    HEAP_UNPOISON(p, page->slot_size);
    return p;
}

static ALWAYS_INLINE void heap_free_direct(void *p)
{
    PageHeader *page = page_of(p);
    if (UNLIKELY(page->used == 1 || !page->fast)) {
        heap_give_back(page, p);
        return;
    }
    HEAP_POISON(p, page);
    *(void **)p = page->free;
    page->free = p;
    page->used--;
}

/* Uninitialised memory, 8-aligned, 16-aligned when size is a multiple of 16. NULL without exception: no memory. size > 0. */
static ALWAYS_INLINE void *heap_alloc(Heap *heap, PageKind kind, size_t size)
{
    if (UNLIKELY(heap->hooked)) return heap_alloc_hooked(heap, kind, size);
    return heap_alloc_direct(heap, kind, size);
}

/* p from heap_alloc with a size of at most 32 KiB, or any collectable object. */
static ALWAYS_INLINE void heap_free(void *p)
{
#ifdef HEAP_CHECKED
    if (!heap_owns(p)) {
        heap_free_outside(p);
        return;
    }
#endif
    PageHeader *page = page_of(p);
    if (UNLIKELY(page->used == 1 || !page->fast)) {
        heap_free_slow(page, p);
        return;
    }
    HEAP_POISON(p, page);
    *(void **)p = page->free;
    page->free = p;
    page->used--;
}

/* A small object of a type that is not collectable: floats, ints, strings. Free it with PyObject_Free or object_free. */
static ALWAYS_INLINE PyObject *object_alloc(Thread *t, PyTypeObject *type, size_t size)
{
    PyObject *o = heap_alloc(t->heap, PAGE_PLAIN, size);
    if (UNLIKELY(!o)) return PyErr_NoMemory();
    o->ob_refcnt = 1;
    o->ob_type = type;
    if (UNLIKELY(type->tp_flags & Py_TPFLAGS_HEAPTYPE)) Py_INCREF(type);
    return o;
}

void gc_schedule(Thread *t);                  /* counts passed the threshold */
void gc_log_grow(Collector *gc);

static ALWAYS_INLINE PageKind gc_page_kind(size_t prefix) { return (PageKind)(PAGE_COLLECTABLE + prefix / 8); }

/* A collectable object, untracked, everything after the header uninitialised. prefix: 0, 8 or 16 hidden bytes in front
 * (uninitialised too). NULL with MemoryError. The type's reference is taken for heap types. */
static ALWAYS_INLINE PyObject *gc_alloc(Thread *t, PyTypeObject *type, size_t size, size_t prefix)
{
    char *p = heap_alloc(t->heap, gc_page_kind(prefix), size + prefix);
    if (UNLIKELY(!p)) return PyErr_NoMemory();
    PyObject *o = (PyObject *)(p + prefix);
    o->ob_refcnt = 1;
    o->ob_type = type;
    if (type->tp_flags & Py_TPFLAGS_HEAPTYPE) Py_INCREF(type);
    Collector *gc = &t->ts.interp->gc;
    if (UNLIKELY(++gc->young_count > gc->threshold[0])) gc_schedule(t);
    return o;
}

/* The object must be complete: a collection may look at it at once. Must not be tracked. */
static ALWAYS_INLINE void gc_track(Thread *t, PyObject *o)
{
    Collector *gc = &t->ts.interp->gc;
    uint8_t *state = slot_state(o);
    assert(!(*state & SLOT_TRACKED));
    if (LIKELY(!(*state & SLOT_LOGGED))) {
        if (UNLIKELY(gc->log_end == gc->log_limit)) gc_log_grow(gc);
        *gc->log_end++ = o;
    }
    *state = (uint8_t)((*state & ~SLOT_GENERATION) | SLOT_TRACKED | SLOT_LOGGED);
}

void gc_log_last(Collector *gc, PyObject *o);

/* gc_track for an instance of any type. A slot that was freed and taken again may have kept its place in the log; where there is a
 * finaliser the order matters, and it gets a new one. */
static ALWAYS_INLINE void gc_track_in_order(Thread *t, PyObject *o, PyTypeObject *type)
{
    if (UNLIKELY(type->tp_finalize) && (*slot_state(o) & SLOT_LOGGED)) gc_log_last(&t->ts.interp->gc, o);
    gc_track(t, o);
}

/* gc_untrack with the state at hand: what deallocators look up once. */
static ALWAYS_INLINE void gc_untrack_at(Thread *t, PyObject *o, uint8_t *state)
{
    Collector *gc = &t->ts.interp->gc;
    if (LIKELY(gc->log_end != gc->log && gc->log_end[-1] == o)) {      /* temporary objects die in reverse order */
        gc->log_end--;
        *state &= (uint8_t)~(SLOT_TRACKED | SLOT_LOGGED);
    }
    else *state &= (uint8_t)~SLOT_TRACKED;                           /* its entry in the log, if any, is now stale */
}

static ALWAYS_INLINE void gc_untrack(Thread *t, PyObject *o) { gc_untrack_at(t, o, slot_state(o)); }

static ALWAYS_INLINE bool gc_is_tracked(PyObject *o) { return *slot_state(o) & SLOT_TRACKED; }

/* Frees the memory of a collectable object, tracked or not; prefix as it was allocated. */
static ALWAYS_INLINE void gc_free_at(Thread *t, PyObject *o, size_t prefix, uint8_t *state)
{
    if (*state & SLOT_TRACKED) gc_untrack_at(t, o, state);
    *state &= SLOT_LOGGED;                    /* a slot keeps that bit while the log holds its address */
    Collector *gc = &t->ts.interp->gc;
    if (gc->young_count > 0) gc->young_count--;
    heap_free((char *)o - prefix);
}

static ALWAYS_INLINE void gc_free(Thread *t, PyObject *o, size_t prefix) { gc_free_at(t, o, prefix, slot_state(o)); }

#endif
