/* Memory: pages, the object heap, the cycle collector's bookkeeping, weak references. The inline paths are in memory/alloc.h.
 *
 *   segment, 4 MiB, aligned to its size                page, 64 KiB
 *   +------------------------------+                   +----------------------------------------------+
 *   | Segment: headers of 64 pages |  <- page 0        | state bytes, one a slot (collectable only)   |
 *   +------------------------------+                   | slot | slot | slot | ...                     |
 *   | page 1 | page 2 | ... page 63|                   +----------------------------------------------+
 *
 * The headers stand together in page 0, because headers at the start of each page would all fall into the same cache sets.
 * A mask leads from any address inside a segment to its page's header. All slots of a page have one size; sizes are 8 bytes
 * apart up to 1 KiB, then eight to a doubling up to 32 KiB. A slot whose size is a multiple of 16 is 16-aligned.
 *
 * Three kinds of page:
 *   plain         PyMem, PyObject_Malloc, objects that are not collectable. Larger blocks come from malloc; a bitmap of the
 *                 address space tells the two apart, so that a block is freed by where it lies and never by the hook of the day.
 *   collectable   objects of collectable types: each slot has a state byte, so that objects need no collector header. Large
 *                 ones have a span of pages, or a segment, to themselves.
 *   prefixed      the same with one word (wide: two, where a foreign base wants 16-aligned objects) in front of the object:
 *                 instances of Python classes keep their shape or __dict__ there (objects/instance.h).
 */
#ifndef TAIPAN_MEMORY_MEMORY_H
#define TAIPAN_MEMORY_MEMORY_H

#include "taipan.h"

enum {
    SEGMENT_SHIFT = 22, SEGMENT_SIZE = 1 << SEGMENT_SHIFT,
    PAGE_SHIFT = 16, PAGE_SIZE = 1 << PAGE_SHIFT,
    SEGMENT_PAGES = SEGMENT_SIZE / PAGE_SIZE,
    SMALL_CLASSES = 128,                     /* 8, 16 ... 1024 bytes */
    SIZE_CLASSES = SMALL_CLASSES + 5 * 8 + 1,/* and eight to a doubling, to 32 KiB; class 0 is not used */
    LARGEST_CLASS_SIZE = 32768,
    GUARD_HEAD = 16,                         /* bytes of a debug header (memory/debug.c) */
};

typedef enum PageKind { PAGE_FREE, PAGE_PLAIN, PAGE_COLLECTABLE, PAGE_PREFIXED, PAGE_PREFIXED_WIDE, PAGE_KINDS } PageKind;

typedef struct PageHeader {
    void *free;                              /* list of free slots, linked through their first word */
    uint32_t used;                           /* slots handed out, and one more while the page heads its bin */
    uint32_t carved;                         /* slots that were ever on the free list: the rest of the page is untouched */
    uint32_t capacity;
    uint32_t reciprocal;                     /* slot index = offset * reciprocal >> 32, exact for offsets below 64 Ki */
    char *slots;                             /* first slot */
    uint8_t *state;                          /* SLOT_* a slot; NULL in plain pages */
    struct PageHeader *next, *previous;      /* in the bin's list of pages with room */
    uint32_t slot_size;
    uint8_t kind, size_class;
    uint8_t listed;                          /* in the bin's list of pages with room */
    uint8_t fast;                            /* listed, and no hook is on: the inline free may handle it */
    int32_t *counts;                         /* copies of reference counts, during a collection */
    uint32_t span;                           /* pages of a large object, 0 in pages of slots */
} PageHeader;

/* State of a slot in collectable pages. 0: not tracked (free or not). */
enum {
    SLOT_TRACKED = 1,
    SLOT_GENERATION = 2 | 4,                 /* 0 young, 1, 2; 3 << 1 = frozen */
    SLOT_GENERATION_SHIFT = 1,
    SLOT_FINALIZED = 8,                      /* tp_finalize has run (PEP 442) */
    SLOT_WEAKLY_REFERENCED = 16,             /* has an entry in the table of weak references */
    SLOT_COLLECTING = 32, SLOT_UNREACHABLE = 64,   /* during a collection */
    SLOT_LOGGED = 128,                       /* has an entry in the young log */
};

typedef struct Segment {
    PageHeader pages[SEGMENT_PAGES];
    struct Heap *heap;
    struct Segment *next, *previous;         /* in the heap's list of all segments */
    uint64_t free_pages;                     /* bit i: page i is free */
    uint64_t dirty_pages;                    /* of the free ones, those whose memory the system still holds for us */
    size_t mapped;                           /* bytes, more than SEGMENT_SIZE for one big object */
    uint8_t span_state[SEGMENT_PAGES];       /* SLOT_* of large collectable objects, by first page */
} Segment;

typedef struct Heap {
    PageHeader *bins[PAGE_KINDS][SIZE_CLASSES];   /* the page to allocate from; never NULL (the empty page at first) */
    bool hooked;                             /* PyMem_SetAllocator replaced the object domain: every call goes through it */
    bool hook_is_foreign;                    /* and brings memory of its own, which no object can live in */
    bool guarded;                            /* room for a debug header in front of each slot of a collectable page */
    uint8_t wanted_kind;                     /* while the hook is asked for an object: what pages_malloc takes it from */
    uint8_t wanted_shift;                    /* and how many bytes in front of the slot the answer begins */
    size_t wanted_size;                      /* 0: it is not */
    Segment *segments;
    Segment *roomy;                          /* where the last free page was found or given back */
    size_t dirty_pages;
    PageHeader empty_page;                   /* never has a free slot */
} Heap;

/* ---- collector ------------------------------------------------------------------------------------------------- */

enum { GENERATIONS = 3 };

enum { STREAM_RANKS = 3 };

typedef struct Collector {
    PyObject **log, **log_end, **log_limit;  /* addresses in order of tracking; entries may be stale or twice (SLOT_LOGGED) */
    Py_ssize_t young_count;                  /* collectable allocations less frees since the last young collection */
    Py_ssize_t threshold[GENERATIONS];
    Py_ssize_t count[GENERATIONS];           /* [0] unused: young_count */
    bool enabled, collecting;
    int debug;                               /* gc.DEBUG_* */
    Py_ssize_t long_lived_total, long_lived_pending;
    struct { Py_ssize_t collections, collected, uncollectable; } stats[GENERATIONS];
    PyObject *garbage, *callbacks;           /* lists */
    PyObject **elders;                       /* addresses of objects with finalisers, in the order in which they left the youngest */
    size_t elder_count, elder_capacity;      /* generation; entries may be stale or repeated: the last one counts */
    int (*stream_rank)(PyObject *);          /* below STREAM_RANKS: a stream may be built on those of higher ranks; -1: none */
} Collector;

typedef struct WeakrefEntry { PyObject *object; PyWeakReference *list; } WeakrefEntry;
typedef struct WeakrefTable {                /* open addressing; objects without weak references pay nothing */
    WeakrefEntry *entries;
    size_t mask, used, filled;
} WeakrefTable;

typedef struct DebugDomain { PyMemAllocatorDomain domain; } DebugDomain;     /* context of a debug hook */

/* The allocators of the three domains, as PyMem_SetAllocator left them. Process-wide, as in CPython. */
typedef struct MemoryProcess {
    PyMemAllocatorEx allocator[3];           /* raw, mem, object */
    bool replaced[3];
    bool guards_objects;                     /* the debug hooks were set up: heaps made from now on are guarded */
    uint8_t family;                          /* PYMEM_ALLOCATOR_*: what PYTHONMALLOC chose, without "_debug" */
    PyMemAllocatorEx below_debug[3];         /* what the debug hooks call */
    PyObjectArenaAllocator arena;
    PyRefTracer tracer;
    void *tracer_data;
    struct AllocationTraces *traces;         /* memory/tracing.c; NULL until tracing was first switched on */
    struct AllocationFaults *faults;         /* memory/faults.c; likewise */
} MemoryProcess;

/* ---- calls ------------------------------------------------------------------------------------------------------ */

/* 0, or -1 when there is no memory. Before anything else of an interpreter. */
int heap_init(Heap *heap);
void heap_destroy(Heap *heap);
/* All that lives in the heap of an interpreter that has ended goes into the other's, collector's marks and weak references
 * included; `from` is empty then. False, and nothing changed, when that cannot be. The GIL of whoever may free there is held. */
bool heap_adopt(PyInterpreterState *into, PyInterpreterState *from);
int gc_init(Collector *gc);
void gc_destroy(Collector *gc);

/* The slow halves of the inline functions in alloc.h. NULL without exception when there is no memory. */
void *heap_take(Heap *heap, PageKind kind, size_t size);
void heap_give_back(PageHeader *page, void *p);
void *heap_alloc_hooked(Heap *heap, PageKind kind, size_t size);
void heap_free_slow(PageHeader *page, void *p);      /* through the hook, if there is one */
void heap_free_outside(void *p);                     /* AddressSanitizer's plain blocks */

size_t heap_live_blocks(Heap *heap);
void heap_set_hooked(Heap *heap, bool hooked);       /* every call goes through the allocator of the object domain, or no longer */
void gc_log_compact(Collector *gc);                  /* drops entries of the young log that no longer stand for a young object */

/* True when p lies in a segment of ours (as opposed to malloc, static or foreign memory). */
bool heap_owns(const void *p);

/* Allocations number first to last (-1: all) fail from now on; false: no memory. Then how many there were, and how many failed. */
bool memory_faults_start(long first, long last);
void memory_faults_stop(long *count, long *failed);
PyObject *memory_faults_stack(void);
void memory_faults_from_environment(void);

/* What PYTHONMALLOC can name: 0, or -1 for an unknown name. Then to put those allocators there (before any interpreter), and the
 * name of those that are there: NULL when there are others. */
int memory_allocators_parse(const char *name, int *which);
int memory_allocators_set(int which);
const char *memory_allocators_name(void);
bool memory_objects_are_hooked(void);                 /* must objects go through the allocator of the object domain? */
bool memory_is_debug_hook(const PyMemAllocatorEx *allocator);      /* is it the debug hook? */
void memory_debug_check(const PyMemAllocatorEx *hook, void *p);     /* ends the process if a free of p by that hook would */
bool memory_is_freed_pointer(const void *p);

/* Collects generation 0, 1 or 2 and everything younger. Returns the number of unreachable objects, never raises. */
Py_ssize_t gc_collect_generation(PyThreadState *ts, int generation);
/* What EVAL_GC_SCHEDULED asks for: the oldest generation that is due. */
void gc_run_scheduled(PyThreadState *ts);
/* At interpreter shutdown: forced full collection; and the warning about uncollectable garbage. */
Py_ssize_t gc_collect_at_exit(PyThreadState *ts);
void gc_report_at_exit(PyThreadState *ts);

/* The head of o's list of weak references: its field where the type has one, an entry of the table otherwise.
 * With create false, NULL when there are none. With create true, NULL with MemoryError, or TypeError as CPython words it. */
PyWeakReference **weakref_list(PyObject *o, bool create);
bool weakref_any(PyObject *o);
bool weakref_table_adopt(WeakrefTable *into, WeakrefTable *from);
void weakref_table_free(WeakrefTable *table);
void weakref_clear_one(PyWeakReference *ref);        /* unlinks and clears, callback kept */

/* True when o is in collectable memory of ours and its tp_finalize has run; and to say so. */
bool gc_is_finalized(PyObject *o);
void gc_set_finalized(PyObject *o);

#endif
