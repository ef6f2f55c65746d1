/* Segments, pages and size classes: the slow half of the object heap (alloc.h has the fast one, memory.h the picture).
 *
 * Invariants
 *   - a listed page has a free slot, or room that was never carved into slots; a page that has neither is in no list;
 *   - the first page of a bin's list counts itself once in `used`, so that it never looks empty to the inline free;
 *   - a page goes back to its segment when its last slot is freed, unless it heads its bin;
 *   - free pages are unmapped (MADV_DONTNEED) once more than DIRTY_LIMIT of them hold memory, a wholly free segment at once.
 */
#include "memory/alloc.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
    CARVE_BYTES = 4096,              /* slots are put on the free list a few at a time: untouched memory costs nothing */
    DIRTY_LIMIT = 64,                /* free pages that keep their memory: 4 MiB */
    ADDRESS_BITS = 48,
};

_Static_assert(sizeof(PageHeader) <= 96, "the header table must stay a small part of a segment's first page");
_Static_assert(sizeof(Segment) <= PAGE_SIZE, "the segment's own data lie in its first page");
_Static_assert(offsetof(Interpreter, heap) == 0, "the collector is found from the heap");

/* One bit a segment-sized piece of the address space: is it ours? Process-wide by nature (several heaps set bits in it),
 * outside of Process because 8 MiB of zeros belong in .bss; only the few lines in use are ever touched. */
static uint64_t segment_map[(1ull << (ADDRESS_BITS - SEGMENT_SHIFT)) / 64];

bool heap_owns(const void *p)
{
    uintptr_t number = (uintptr_t)p >> SEGMENT_SHIFT;
    return segment_map[number >> 6] >> (number & 63) & 1;
}

static void segment_map_set(const Segment *segment, bool ours)
{
    uintptr_t number = (uintptr_t)segment >> SEGMENT_SHIFT;
    uint64_t bit = 1ull << (number & 63);
    if (ours) __atomic_or_fetch(&segment_map[number >> 6], bit, __ATOMIC_RELAXED);
    else __atomic_and_fetch(&segment_map[number >> 6], ~bit, __ATOMIC_RELAXED);
}

/* ---- segments --------------------------------------------------------------------------------------------------- */

/* size bytes at an address that is a multiple of SEGMENT_SIZE, or NULL. */
static void *map_aligned(size_t size)
{
    char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) return NULL;
    if (((uintptr_t)p & (SEGMENT_SIZE - 1)) == 0) return p;
    munmap(p, size);
    size_t padded = size + SEGMENT_SIZE;             /* the system's pages are smaller than ours */
    p = mmap(NULL, padded, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) return NULL;
    char *aligned = (char *)(((uintptr_t)p + SEGMENT_SIZE - 1) & ~(uintptr_t)(SEGMENT_SIZE - 1));
    if (aligned > p) munmap(p, (size_t)(aligned - p));
    if (aligned + size < p + padded) munmap(aligned + size, (size_t)(p + padded - aligned - size));
    return aligned;
}

static COLD Segment *segment_new(Heap *heap, size_t size)
{
    Segment *segment = map_aligned(size);
    if (!segment) return NULL;
    segment->heap = heap;
    segment->mapped = size;
    segment->free_pages = ~1ull;                   /* page 0 holds the headers */
    segment->next = heap->segments;
    if (heap->segments) heap->segments->previous = segment;
    heap->segments = segment;
    segment_map_set(segment, true);
    return segment;
}

static COLD void segment_release(Heap *heap, Segment *segment)
{
    if (segment->previous) segment->previous->next = segment->next;
    else heap->segments = segment->next;
    if (segment->next) segment->next->previous = segment->previous;
    if (heap->roomy == segment) heap->roomy = NULL;
    heap->dirty_pages -= (size_t)__builtin_popcountll(segment->dirty_pages);
    segment_map_set(segment, false);
    HEAP_UNPOISON(segment, segment->mapped);
    munmap(segment, segment->mapped);
}

static char *page_address(Segment *segment, unsigned index) { return (char *)segment + ((size_t)index << PAGE_SHIFT); }

/* The first run of `pages` free pages in the segment, or 0. */
static unsigned find_run(const Segment *segment, unsigned pages)
{
    uint64_t runs = segment->free_pages;
    for (unsigned i = 1; i < pages && runs; i++) runs &= runs >> 1;
    return runs ? (unsigned)__builtin_ctzll(runs) : 0;
}

/* Takes pages out of a segment. dirty tells whether their memory may hold old contents. NULL: no memory. */
static COLD PageHeader *pages_take(Heap *heap, unsigned pages, bool *dirty)
{
    Segment *segment = heap->roomy;
    unsigned at = segment ? find_run(segment, pages) : 0;
    if (!at) {
        for (segment = heap->segments; segment; segment = segment->next)
            if ((at = find_run(segment, pages))) break;
        if (!at) {
            if (!(segment = segment_new(heap, SEGMENT_SIZE))) return NULL;
            at = find_run(segment, pages);
        }
        heap->roomy = segment;
    }
    uint64_t mask = (pages == 64 ? ~0ull : (1ull << pages) - 1) << at;
    *dirty = segment->dirty_pages & mask;
    heap->dirty_pages -= (size_t)__builtin_popcountll(segment->dirty_pages & mask);
    segment->dirty_pages &= ~mask;
    segment->free_pages &= ~mask;
    return &segment->pages[at];
}

static void segment_clean(Heap *heap, Segment *segment)
{
    while (segment->dirty_pages) {
        unsigned at = (unsigned)__builtin_ctzll(segment->dirty_pages);
        uint64_t rest = ~(segment->dirty_pages >> at);
        unsigned length = rest ? (unsigned)__builtin_ctzll(rest) : 64 - at;
        madvise(page_address(segment, at), (size_t)length << PAGE_SHIFT, MADV_DONTNEED);
        uint64_t mask = (length == 64 ? ~0ull : (1ull << length) - 1) << at;
        heap->dirty_pages -= length;
        segment->dirty_pages &= ~mask;
    }
}

static COLD void pages_give_back(Heap *heap, PageHeader *page, unsigned pages)
{
    Segment *segment = (Segment *)((uintptr_t)page & ~(uintptr_t)(SEGMENT_SIZE - 1));
    unsigned at = (unsigned)(page - segment->pages);
    uint64_t mask = ((1ull << pages) - 1) << at;
    memset(page, 0, sizeof *page);
    segment->free_pages |= mask;
    segment->dirty_pages |= mask;
    heap->dirty_pages += pages;
    if (segment->free_pages == ~1ull && heap->segments->next) segment_release(heap, segment);
    else {
        heap->roomy = segment;
        if (heap->dirty_pages > DIRTY_LIMIT) {
            for (Segment *s = heap->segments; s; s = s->next) segment_clean(heap, s);
        }
    }
}

/* ---- pages ------------------------------------------------------------------------------------------------------ */

static size_t class_size(unsigned class)
{
    if (class <= SMALL_CLASSES) return (size_t)class * 8;
    unsigned step = class - SMALL_CLASSES - 1;
    return (size_t)(9 + step % 8) << (7 + step / 8);
}

static void list_insert_second(Heap *heap, PageHeader *page)
{
    PageHeader *head = heap->bins[page->kind][page->size_class];
    assert(head != &heap->empty_page);
    page->previous = head;
    page->next = head->next;
    if (head->next) head->next->previous = page;
    head->next = page;
    page->listed = 1;
    page->fast = !heap->hooked;
}

static void list_remove(PageHeader *page)
{
    if (page->previous) page->previous->next = page->next;
    if (page->next) page->next->previous = page->previous;
    page->next = page->previous = NULL;
    page->listed = page->fast = 0;
}

static void make_head(Heap *heap, PageHeader *page)
{
    page->used++;
    page->listed = 1;
    page->fast = !heap->hooked;
    heap->bins[page->kind][page->size_class] = page;
}

/* More slots on the free list of a page that has none. False: the page is full. */
static bool page_carve(PageHeader *page)
{
    if (page->carved == page->capacity) return false;
    uint32_t n = CARVE_BYTES / page->slot_size;
    if (n == 0) n = 1;
    if (n > page->capacity - page->carved) n = page->capacity - page->carved;
    char *p = page->slots + (size_t)page->carved * page->slot_size;
    page->carved += n;
    page->free = p;
    for (; n > 1; n--, p += page->slot_size) *(void **)p = p + page->slot_size;
    *(void **)p = NULL;
    return true;
}

/* In front of the first slot of a collectable page. */
static size_t guard_bytes(const Heap *heap) { return heap->guarded ? GUARD_HEAD : 0; }

static COLD PageHeader *page_new(Heap *heap, PageKind kind, unsigned class)
{
    bool dirty;
    PageHeader *page = pages_take(heap, 1, &dirty);
    if (!page) return NULL;
    Segment *segment = (Segment *)((uintptr_t)page & ~(uintptr_t)(SEGMENT_SIZE - 1));
    char *start = page_address(segment, (unsigned)(page - segment->pages));
    size_t size = class_size(class);
    HEAP_UNPOISON(start, PAGE_SIZE);
    memset(page, 0, sizeof *page);
    page->kind = (uint8_t)kind;
    page->size_class = (uint8_t)class;
    page->slot_size = (uint32_t)size;
    page->reciprocal = (uint32_t)(((1ull << 32) + size - 1) / size);
    if (kind == PAGE_PLAIN) {
        page->slots = start;
        page->capacity = (uint32_t)(PAGE_SIZE / size);
    }
    else {
        size_t guard = guard_bytes(heap), capacity = (PAGE_SIZE - 15 - guard) / (size + 1);
        page->state = (uint8_t *)start;
        page->slots = start + ((capacity + 15) & ~(size_t)15) + guard;
        page->capacity = (uint32_t)capacity;
        if (dirty) memset(start, 0, capacity);
    }
    return page;
}

static COLD void page_release(Heap *heap, PageHeader *page)
{
    if (page->state && memchr(page->state, SLOT_LOGGED, page->carved)) {
        gc_log_compact(&((Interpreter *)heap)->gc);        /* its entries must not outlive the page */
    }
    pages_give_back(heap, page, 1);
}

/* A collectable object larger than the largest class: pages or a mapping of its own. */
static COLD void *large_alloc(Heap *heap, PageKind kind, size_t size)
{
    PageHeader *page;
    size_t guard = guard_bytes(heap), pages = (size + guard + PAGE_SIZE - 1) >> PAGE_SHIFT;
    if (size > PTRDIFF_MAX - SEGMENT_SIZE) return NULL;
    bool dirty;
    if (pages < SEGMENT_PAGES / 2) {
        if (!(page = pages_take(heap, (unsigned)pages, &dirty))) return NULL;
    }
    else {
        Segment *own = segment_new(heap, (pages + 1) << PAGE_SHIFT);
        if (!own) return NULL;
        own->free_pages = 0;
        page = &own->pages[1];
    }
    Segment *segment = (Segment *)((uintptr_t)page & ~(uintptr_t)(SEGMENT_SIZE - 1));
    unsigned at = (unsigned)(page - segment->pages);
    memset(page, 0, sizeof *page);
    page->kind = (uint8_t)kind;
    page->span = (uint32_t)pages;
    page->used = page->carved = page->capacity = 1;
    page->slots = page_address(segment, at) + guard;
    HEAP_UNPOISON(page->slots - guard, size + guard);
    page->state = &segment->span_state[at];
    *page->state = 0;
    return page->slots;
}

static COLD void large_free(Heap *heap, PageHeader *page)
{
    Segment *segment = (Segment *)((uintptr_t)page & ~(uintptr_t)(SEGMENT_SIZE - 1));
    if (*page->state & SLOT_LOGGED) gc_log_compact(&((Interpreter *)heap)->gc);
    if (page->span >= SEGMENT_PAGES / 2) segment_release(heap, segment);
    else pages_give_back(heap, page, page->span);
}

/* ---- the slow halves -------------------------------------------------------------------------------------------- */

NOINLINE void *heap_take(Heap *heap, PageKind kind, size_t size)
{
    if (size > LARGEST_CLASS_SIZE) return large_alloc(heap, kind, size);
    unsigned class = size_class(size);
    PageHeader *page = heap->bins[kind][class];
    if (!page->free && page != &heap->empty_page && !page_carve(page)) {
        PageHeader *next = page->next;
        list_remove(page);
        page->used--;                              /* no longer the head */
        if (next) make_head(heap, next);
        else heap->bins[kind][class] = &heap->empty_page;
        page = heap->bins[kind][class];
        if (!page->free && page != &heap->empty_page) page_carve(page);
    }
    if (page == &heap->empty_page) {
        if (!(page = page_new(heap, kind, class))) return NULL;
        make_head(heap, page);
        page_carve(page);
    }
    void *p = page->free;
    page->free = *(void **)p;
    page->used++;
    HEAP_UNPOISON(p, page->slot_size);
    return p;
}

/* With debug hooks, what is freed may begin a header before or after the slot. */
static COLD void *slot_of_guarded(const PageHeader *page, void *p)
{
    if (page->kind >= PAGE_COLLECTABLE) p = (char *)p + GUARD_HEAD;
    return page->slots + (size_t)slot_index(page, p) * page->slot_size;
}

NOINLINE void heap_give_back(PageHeader *page, void *p)
{
    Heap *heap = heap_of(page);
    if (UNLIKELY(heap->guarded) && !page->span) p = slot_of_guarded(page, p);
    if (page->span) {
        large_free(heap, page);
        return;
    }
    HEAP_POISON(p, page);
    *(void **)p = page->free;
    page->free = p;
    page->used--;
    PageHeader *head = heap->bins[page->kind][page->size_class];
    if (page == head) return;
    if (page->used == 0) {
        if (page->listed) list_remove(page);
        page_release(heap, page);
    }
    else if (!page->listed) {
        if (head == &heap->empty_page) make_head(heap, page);
        else list_insert_second(heap, page);
    }
}

/* ---- hooks: the object domain was replaced ------------------------------------------------------------------------ */

/* The hook is asked as if for any block. When the request arrives at our own allocator, pages_malloc recognises it and serves
 * it from pages of the right kind. A hook that brings other memory has at least had its say (it may refuse): the object then
 * gets a slot of ours, and is freed without asking. */
NOINLINE COLD void *heap_alloc_hooked(Heap *heap, PageKind kind, size_t size)
{
    const PyMemAllocatorEx *hook = &_PyRuntime.memory.allocator[PYMEM_DOMAIN_OBJ];
    heap->wanted_kind = (uint8_t)kind;
    heap->wanted_size = size;
    void *p = hook->malloc(hook->ctx, size);
    heap->wanted_size = heap->wanted_shift = 0;
    if (!p) return NULL;
#ifdef HEAP_CHECKED
    if (kind == PAGE_PLAIN) return p;
#endif
    if (heap_owns(p) && page_of(p)->kind == kind) return p;
    hook->free(hook->ctx, p);
    heap->hook_is_foreign = true;
    return heap_take(heap, kind, size);
}

NOINLINE void heap_free_slow(PageHeader *page, void *p)
{
    Heap *heap = heap_of(page);
    if (LIKELY(!heap->hooked) || heap->hook_is_foreign) {
        heap_give_back(page, p);
        return;
    }
    const PyMemAllocatorEx *hook = &_PyRuntime.memory.allocator[PYMEM_DOMAIN_OBJ];
    hook->free(hook->ctx, p);
}

COLD void heap_free_outside(void *p)
{
    Thread *t = thread_get();
    if (t && t->heap->hooked) PyObject_Free(p);
    else free(p);
}

/* ---- life of a heap --------------------------------------------------------------------------------------------- */

int heap_init(Heap *heap)
{
    memset(heap, 0, sizeof *heap);
    for (int kind = 0; kind < PAGE_KINDS; kind++)
        for (int class = 0; class < SIZE_CLASSES; class++) heap->bins[kind][class] = &heap->empty_page;
    heap->hooked = memory_objects_are_hooked();
    heap->guarded = _PyRuntime.memory.guards_objects;
    return segment_new(heap, SEGMENT_SIZE) ? 0 : -1;
}

void heap_destroy(Heap *heap)
{
    while (heap->segments) segment_release(heap, heap->segments);
}

/* Pages that are kept only because they head their bin. */
static void release_empty_heads(Heap *heap)
{
    for (int kind = PAGE_PLAIN; kind < PAGE_KINDS; kind++)
        for (int class = 0; class < SIZE_CLASSES; class++) {
            PageHeader *head = heap->bins[kind][class], *next = head->next;
            if (head == &heap->empty_page || head->used > 1) continue;
            list_remove(head);
            heap->bins[kind][class] = &heap->empty_page;
            if (next) make_head(heap, next);
            page_release(heap, head);
        }
}

/* The collector takes what it finds for old: its log of young objects does not know them. */
static void adopt_states(PageHeader *page)
{
    for (uint32_t i = 0; i < page->carved; i++) {
        uint8_t state = page->state[i] & (SLOT_TRACKED | SLOT_GENERATION | SLOT_FINALIZED | SLOT_WEAKLY_REFERENCED);
        if (state & SLOT_TRACKED && (state & SLOT_GENERATION) >> SLOT_GENERATION_SHIFT < 2)
            state = (uint8_t)((state & ~SLOT_GENERATION) | 2 << SLOT_GENERATION_SHIFT);
        page->state[i] = state;
    }
}

static void adopt_page(Heap *into, Heap *from, PageHeader *page)
{
    if (page->state) adopt_states(page);
    if (page->span) return;
    if (page == from->bins[page->kind][page->size_class]) {
        page->used--;
        from->bins[page->kind][page->size_class] = &from->empty_page;
    }
    bool listed = page->listed;
    page->next = page->previous = NULL;
    page->listed = page->fast = 0;
    if (!listed) return;
    if (into->bins[page->kind][page->size_class] == &into->empty_page) make_head(into, page);
    else list_insert_second(into, page);
}

bool heap_adopt(PyInterpreterState *into_interp, PyInterpreterState *from_interp)
{
    Heap *into = &into_interp->heap, *from = &from_interp->heap;
    if (into->guarded != from->guarded) return false;
    if (!weakref_table_adopt(&into_interp->weakrefs, &from_interp->weakrefs)) return false;
    release_empty_heads(from);
    while (from->segments) {
        Segment *segment = from->segments;
        if (segment->free_pages == ~1ull) {
            segment_release(from, segment);
            continue;
        }
        segment_clean(from, segment);
        if ((from->segments = segment->next)) from->segments->previous = NULL;
        segment->heap = into;
        segment->previous = NULL;
        segment->next = into->segments;
        if (into->segments) into->segments->previous = segment;
        into->segments = segment;
        for (unsigned i = 1; i < SEGMENT_PAGES; i++)
            if (segment->pages[i].kind != PAGE_FREE) adopt_page(into, from, &segment->pages[i]);
    }
    from->roomy = NULL;
    return true;
}

size_t heap_live_blocks(Heap *heap)
{
    size_t live = 0;
    for (Segment *segment = heap->segments; segment; segment = segment->next)
        for (unsigned i = 1; i < SEGMENT_PAGES; i++) {
            PageHeader *page = &segment->pages[i];
            if (page->kind == PAGE_FREE) continue;
            live += page->used;
            if (!page->span && page == heap->bins[page->kind][page->size_class]) live--;
        }
    return live;
}

void heap_set_hooked(Heap *heap, bool hooked)
{
    heap->hooked = hooked;
    heap->hook_is_foreign = false;
    for (Segment *segment = heap->segments; segment; segment = segment->next)
        for (unsigned i = 1; i < SEGMENT_PAGES; i++) segment->pages[i].fast = !hooked && segment->pages[i].listed;
}
