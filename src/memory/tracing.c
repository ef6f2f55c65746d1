/* Allocation tracing: tables of live blocks, of the stacks that allocated them, and of the file names in those stacks.
 *
 * Tracing is three allocators put over the present ones (PyMem_SetAllocator); objects come through them as well (heap.c), so
 * that nothing is asked anywhere while it is off. Invariants:
 *   - the tables take their memory from malloc and refer to no Python object: file names are copied. They need no GIL, only
 *     the mutex, and a thread may trace its raw allocations while it is detached;
 *   - a block that cannot be recorded is given back and its allocation fails;
 *   - the struct is never freed: an allocator that was on its way in when tracing stopped finds `on` false. */
#include "memory/tracing.h"
#include "memory/alloc.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct TraceFile {
    Py_hash_t hash;
    Py_ssize_t length;
    uint8_t kind;                        /* of the copied str */
    char text[];
} TraceFile;

typedef struct TraceFrame { TraceFile *file; int line; } TraceFrame;

typedef struct TraceStack {
    size_t hash;
    uint16_t total, depth;               /* frames there were, and frames kept */
    TraceFrame frames[];                 /* most recent first */
} TraceStack;

typedef struct Trace { uintptr_t block; size_t size; TraceStack *stack; unsigned domain; } Trace;    /* block 0: free */

/* A set of pointers to things that begin with, or lead to, their hash: open addressing, only ever cleared as a whole. */
typedef struct TraceSet { void **items; size_t mask, used; } TraceSet;

struct AllocationTraces {
    pthread_mutex_t mutex;
    bool on;
    int limit;
    Trace *traces;                       /* open addressing, linear; removal closes the gap */
    size_t mask, used;
    TraceSet stacks, files;
    size_t overhead;                     /* of stacks and files themselves */
    size_t current, peak;
    int pins;                            /* threads that look at stacks and files without the mutex */
    TraceStack *scratch;                 /* room for `limit` frames */
    PyMemAllocatorEx below[3];           /* by domain */
};

typedef struct AllocationTraces Traces;

static Traces *traces_get(void) { return _PyRuntime.memory.traces; }
static void lock(Traces *t) { pthread_mutex_lock(&t->mutex); }
static void unlock(Traces *t) { pthread_mutex_unlock(&t->mutex); }

/* ---- file names and stacks --------------------------------------------------------------------------------------- */

static inline size_t stack_hash_of(void *p) { return ((TraceStack *)p)->hash; }
static inline size_t file_hash_of(void *p) { return (size_t)((TraceFile *)p)->hash; }

/* Doubles the set when it is three quarters full. */
static bool set_make_room(TraceSet *set, size_t (*hash_of)(void *))
{
    if (set->items && set->used < set->mask - set->mask / 4) return true;
    size_t size = set->items ? (set->mask + 1) * 2 : 256;
    void **items = calloc(size, sizeof *items);
    if (!items) return false;
    for (size_t i = 0; set->items && i <= set->mask; i++) {
        if (!set->items[i]) continue;
        size_t at = hash_of(set->items[i]) & (size - 1);
        while (items[at]) at = (at + 1) & (size - 1);
        items[at] = set->items[i];
    }
    free(set->items);
    set->items = items;
    set->mask = size - 1;
    return true;
}

static void set_clear(TraceSet *set)
{
    for (size_t i = 0; set->items && i <= set->mask; i++) free(set->items[i]);
    free(set->items);
    *set = (TraceSet){ 0 };
}

static TraceFile *file_intern(Traces *t, const void *text, Py_ssize_t length, uint8_t kind, Py_hash_t hash)
{
    if (!set_make_room(&t->files, file_hash_of)) return NULL;
    size_t bytes = (size_t)length * kind, at = (size_t)hash & t->files.mask;
    for (TraceFile *f; (f = t->files.items[at]); at = (at + 1) & t->files.mask)
        if (f->hash == hash && f->length == length && f->kind == kind && memcmp(f->text, text, bytes) == 0) return f;
    TraceFile *f = malloc(sizeof *f + bytes);
    if (!f) return NULL;
    f->hash = hash;
    f->length = length;
    f->kind = kind;
    memcpy(f->text, text, bytes);
    t->overhead += sizeof *f + bytes;
    t->files.items[at] = f;
    t->files.used++;
    return f;
}

static TraceFile *file_unknown(Traces *t) { return file_intern(t, "<unknown>", 9, 1, 1); }

static TraceFile *file_of_code(Traces *t, PyCodeObject *code)
{
    PyObject *name = code->co_filename;
    if (!name || !PyUnicode_Check(name)) return file_unknown(t);
    Py_hash_t hash = PyUnicode_Type.tp_hash(name);
    return file_intern(t, PyUnicode_DATA(name), PyUnicode_GET_LENGTH(name), (uint8_t)PyUnicode_KIND(name), hash);
}

/* The stack of this thread, interned. A detached thread's own frames stay as they are, code and file names with them. */
static TraceStack *stack_of_here(Traces *t)
{
    PyThreadState *ts = (PyThreadState *)thread_get();
    if (!ts) ts = PyGILState_GetThisThreadState();
    TraceStack *s = t->scratch;
    s->total = s->depth = 0;
    for (Frame *f = ts ? frame_current(ts) : NULL; f; f = frame_first_complete(f->previous)) {
        if (s->depth < t->limit) {
            int line = frame_line(f);
            TraceFrame *out = &s->frames[s->depth++];
            out->line = line < 0 ? 0 : line;
            if (!(out->file = file_of_code(t, frame_code(f)))) return NULL;
        }
        if (s->total < UINT16_MAX) s->total++;
    }
    if (!s->depth) {
        TraceFile *unknown = file_unknown(t);
        if (!unknown) return NULL;
        s->frames[0] = (TraceFrame){ unknown, 0 };
        s->depth = s->total = 1;
    }
    size_t hash = s->total;
    for (int i = 0; i < s->depth; i++) {
        hash = (hash ^ (uintptr_t)s->frames[i].file ^ (size_t)s->frames[i].line << 40) * 0x9e3779b97f4a7c15u;
        hash ^= hash >> 29;
    }
    s->hash = hash;
    if (!set_make_room(&t->stacks, stack_hash_of)) return NULL;
    size_t at = hash & t->stacks.mask;
    for (TraceStack *o; (o = t->stacks.items[at]); at = (at + 1) & t->stacks.mask) {
        if (o->hash != hash || o->depth != s->depth || o->total != s->total) continue;
        int i = 0;
        while (i < s->depth && o->frames[i].file == s->frames[i].file && o->frames[i].line == s->frames[i].line) i++;
        if (i == s->depth) return o;
    }
    size_t bytes = sizeof *s + s->depth * sizeof *s->frames;
    TraceStack *kept = malloc(bytes);
    if (!kept) return NULL;
    memcpy(kept, s, bytes);
    t->overhead += bytes;
    t->stacks.items[at] = kept;
    t->stacks.used++;
    return kept;
}

/* ---- live blocks -------------------------------------------------------------------------------------------------- */

static inline size_t trace_slot(const Traces *t, unsigned domain, uintptr_t block)
{
    size_t hash = ((block >> 3) ^ (size_t)domain << 48) * 0x9e3779b97f4a7c15u;
    return (hash >> 20) & t->mask;
}

/* Where the block is, or the free entry where it would be. */
static inline Trace *trace_find(Traces *t, unsigned domain, uintptr_t block)
{
    size_t at = trace_slot(t, domain, block);
    while (t->traces[at].block && (t->traces[at].block != block || t->traces[at].domain != domain)) at = (at + 1) & t->mask;
    return &t->traces[at];
}

static COLD bool traces_grow(Traces *t)
{
    size_t old = t->traces ? t->mask + 1 : 0, size = old ? old * 2 : 1024;
    Trace *before = t->traces, *table = calloc(size, sizeof *table);
    if (!table) return false;
    t->traces = table;
    t->mask = size - 1;
    for (size_t i = 0; i < old; i++)
        if (before[i].block) *trace_find(t, before[i].domain, before[i].block) = before[i];
    free(before);
    return true;
}

static void trace_remove(Traces *t, unsigned domain, uintptr_t block)
{
    if (!t->traces) return;
    Trace *gone = trace_find(t, domain, block);
    if (!gone->block) return;
    t->current -= gone->size;
    t->used--;
    size_t hole = (size_t)(gone - t->traces), at = hole;
    for (;;) {                           /* entries that would no longer be found move into the gap */
        at = (at + 1) & t->mask;
        Trace *entry = &t->traces[at];
        if (!entry->block) break;
        size_t home = trace_slot(t, entry->domain, entry->block);
        if (((at - home) & t->mask) < ((at - hole) & t->mask)) continue;
        t->traces[hole] = *entry;
        hole = at;
    }
    t->traces[hole].block = 0;
}

/* 0, or -1: no memory (then an older trace of the block is gone). */
static int trace_add(Traces *t, unsigned domain, uintptr_t block, size_t size)
{
    if ((!t->traces || t->used >= t->mask - t->mask / 4) && !traces_grow(t)) {
        trace_remove(t, domain, block);
        return -1;
    }
    TraceStack *stack = stack_of_here(t);
    if (!stack) {
        trace_remove(t, domain, block);
        return -1;
    }
    Trace *entry = trace_find(t, domain, block);
    if (entry->block) t->current -= entry->size;
    else t->used++;
    *entry = (Trace){ block, size, stack, domain };
    t->current += size;
    if (t->current > t->peak) t->peak = t->current;
    return 0;
}

static void traces_forget(Traces *t)
{
    free(t->traces);
    t->traces = NULL;
    t->mask = t->used = t->current = t->peak = 0;
    if (t->pins) return;
    set_clear(&t->stacks);
    set_clear(&t->files);
    t->overhead = 0;
}

/* ---- the allocators ------------------------------------------------------------------------------------------------ */

/* The allocator below is the context. -1: not recorded for want of memory. */
static int record(void *p, size_t size)
{
    Traces *t = traces_get();
    lock(t);
    int result = t->on ? trace_add(t, 0, (uintptr_t)p, size) : 0;
    unlock(t);
    return result;
}

static void forget(void *p)
{
    Traces *t = traces_get();
    lock(t);
    if (t->on) trace_remove(t, 0, (uintptr_t)p);
    unlock(t);
}

static void *keep_if_recorded(const PyMemAllocatorEx *below, void *p, size_t size)
{
    if (!p || record(p, size) == 0) return p;
    below->free(below->ctx, p);
    return NULL;
}

static void *traced_malloc(void *context, size_t size)
{
    const PyMemAllocatorEx *below = context;
    return keep_if_recorded(below, below->malloc(below->ctx, size), size);
}

static void *traced_calloc(void *context, size_t n, size_t size)
{
    const PyMemAllocatorEx *below = context;
    return keep_if_recorded(below, below->calloc(below->ctx, n, size), n * size);
}

static void *traced_realloc(void *context, void *p, size_t size)
{
    const PyMemAllocatorEx *below = context;
    void *moved = below->realloc(below->ctx, p, size);
    if (!moved) return NULL;
    if (!p) return keep_if_recorded(below, moved, size);
    if (moved != p) forget(p);
    (void)record(moved, size);           /* the old block is gone: a block without trace is better than a lost one */
    return moved;
}

static void traced_free(void *context, void *p)
{
    const PyMemAllocatorEx *below = context;
    if (!p) return;
    if (UNLIKELY(memory_is_debug_hook(below))) memory_debug_check(below, p);     /* while it is known who allocated p */
    forget(p);                           /* first: another thread may get the same address at once */
    below->free(below->ctx, p);
}

/* ---- switching ----------------------------------------------------------------------------------------------------- */

int tracing_start(int max_frames)
{
    Traces *t = traces_get();
    if (max_frames < 1 || max_frames > TRACING_FRAMES_MAX) {
        PyErr_Format(PyExc_ValueError, "the number of frames must be in range [1; %i]", (int)TRACING_FRAMES_MAX);
        return -1;
    }
    if (t && t->on) return 0;
    if (!t) {
        if (!(t = calloc(1, sizeof *t))) goto no_memory;
        pthread_mutex_init(&t->mutex, NULL);
        _PyRuntime.memory.traces = t;
    }
    TraceStack *scratch = malloc(sizeof *scratch + (size_t)max_frames * sizeof *scratch->frames);
    if (!scratch) goto no_memory;
    lock(t);
    t->limit = max_frames;
    t->scratch = scratch;
    t->on = true;
    unlock(t);
    for (int domain = PYMEM_DOMAIN_RAW; domain <= PYMEM_DOMAIN_OBJ; domain++) {
        PyMem_GetAllocator((PyMemAllocatorDomain)domain, &t->below[domain]);
        PyMemAllocatorEx traced = { &t->below[domain], traced_malloc, traced_calloc, traced_realloc, traced_free };
        PyMem_SetAllocator((PyMemAllocatorDomain)domain, &traced);
    }
    return 0;
no_memory:
    PyErr_NoMemory();
    return -1;
}

void tracing_stop(void)
{
    Traces *t = traces_get();
    if (!t || !t->on) return;
    lock(t);
    t->on = false;
    traces_forget(t);
    free(t->scratch);
    t->scratch = NULL;
    unlock(t);
    for (int domain = PYMEM_DOMAIN_RAW; domain <= PYMEM_DOMAIN_OBJ; domain++)
        PyMem_SetAllocator((PyMemAllocatorDomain)domain, &t->below[domain]);
}

bool tracing_is_on(void) { return traces_get() && traces_get()->on; }
int tracing_frame_limit(void) { return traces_get() && traces_get()->limit ? traces_get()->limit : 1; }

void tracing_clear(void)
{
    Traces *t = traces_get();
    if (!tracing_is_on()) return;
    lock(t);
    traces_forget(t);
    unlock(t);
}

void tracing_memory(size_t *current, size_t *peak)
{
    Traces *t = traces_get();
    *current = *peak = 0;
    if (!t) return;
    lock(t);
    *current = t->current;
    *peak = t->peak;
    unlock(t);
}

void tracing_reset_peak(void)
{
    Traces *t = traces_get();
    if (!t) return;
    lock(t);
    t->peak = t->current;
    unlock(t);
}

size_t tracing_overhead(void)
{
    Traces *t = traces_get();
    if (!t) return 0;
    lock(t);
    size_t size = t->overhead;
    if (t->traces) size += (t->mask + 1) * sizeof *t->traces;
    if (t->stacks.items) size += (t->stacks.mask + 1) * sizeof *t->stacks.items;
    if (t->files.items) size += (t->files.mask + 1) * sizeof *t->files.items;
    unlock(t);
    return size;
}

void tracing_after_fork(void)
{
    if (traces_get()) pthread_mutex_init(&traces_get()->mutex, NULL);
}

/* ---- as objects ---------------------------------------------------------------------------------------------------- */

/* Making objects of the tables allocates, and so adds traces: the list is made from a copy of them, and `pins` keeps the
 * stacks and files that it leads to. */

static PyObject *file_object(const TraceFile *file, PyObject *made)
{
    PyObject *key = made ? PyLong_FromVoidPtr((void *)file) : NULL, *name = NULL;
    if (made && (!key || PyDict_GetItemRef(made, key, &name) < 0)) {
        Py_XDECREF(key);
        return NULL;
    }
    if (!name) {
        name = PyUnicode_FromKindAndData(file->kind, file->text, file->length);
        if (name && made && PyDict_SetItem(made, key, name) < 0) Py_CLEAR(name);
    }
    Py_XDECREF(key);
    return name;
}

static PyObject *stack_object(const TraceStack *stack, PyObject *made)
{
    PyObject *frames = PyTuple_New(stack->depth);
    for (int i = 0; frames && i < stack->depth; i++) {
        PyObject *name = file_object(stack->frames[i].file, made);
        PyObject *frame = name ? Py_BuildValue("(Ni)", name, stack->frames[i].line) : NULL;
        if (!frame) {
            Py_DECREF(frames);
            return NULL;
        }
        PyTuple_SET_ITEM(frames, i, frame);
    }
    return frames;
}

/* One tuple a stack and one str a file: memo maps addresses to them. */
static PyObject *trace_object(const Trace *trace, PyObject *memo)
{
    PyObject *key = PyLong_FromVoidPtr(trace->stack), *frames = NULL;
    if (key && PyDict_GetItemRef(memo, key, &frames) == 0) {
        frames = stack_object(trace->stack, memo);
        if (frames && PyDict_SetItem(memo, key, frames) < 0) Py_CLEAR(frames);
    }
    Py_XDECREF(key);
    if (!frames) return NULL;
    return Py_BuildValue("(InNi)", trace->domain, (Py_ssize_t)trace->size, frames, (int)trace->stack->total);
}

static void unpin(Traces *t)
{
    lock(t);
    if (--t->pins == 0 && !t->on) {
        set_clear(&t->stacks);
        set_clear(&t->files);
        t->overhead = 0;
    }
    unlock(t);
}

PyObject *tracing_list(void)
{
    Traces *t = traces_get();
    PyObject *list = PyList_New(0), *memo = PyDict_New();
    if (!list || !memo || !tracing_is_on()) {
        Py_XDECREF(memo);
        if (!memo) Py_CLEAR(list);
        return list;
    }
    lock(t);
    size_t count = 0;
    Trace *copy = malloc((t->used + 1) * sizeof *copy);
    for (size_t i = 0; copy && t->traces && i <= t->mask; i++)
        if (t->traces[i].block) copy[count++] = t->traces[i];
    t->pins++;
    unlock(t);
    if (!copy) {
        PyErr_NoMemory();
        Py_CLEAR(list);
    }
    for (size_t i = 0; list && i < count; i++) {
        PyObject *item = trace_object(&copy[i], memo);
        if (!item || PyList_Append(list, item) < 0) Py_CLEAR(list);
        Py_XDECREF(item);
    }
    free(copy);
    unpin(t);
    Py_DECREF(memo);
    return list;
}

/* NEW tuple of (file name, line), most recent first, or None */
static PyObject *tracing_traceback(unsigned domain, uintptr_t p)
{
    Traces *t = traces_get();
    if (!p || !tracing_is_on()) Py_RETURN_NONE;
    lock(t);
    TraceStack *stack = t->on && t->traces ? trace_find(t, domain, p)->stack : NULL;
    if (stack && !trace_find(t, domain, p)->block) stack = NULL;
    t->pins++;
    unlock(t);
    PyObject *frames = stack ? stack_object(stack, NULL) : Py_NewRef(Py_None);
    unpin(t);
    return frames;
}

/* For a process that is about to end: waits for nobody. */
COLD void tracing_dump_block(FILE *out, uintptr_t p)
{
    Traces *t = traces_get();
    if (!tracing_is_on()) {
        fputs("Enable tracemalloc to get the memory block allocation traceback\n\n", out);
        return;
    }
    bool locked = pthread_mutex_trylock(&t->mutex) == 0;
    const Trace *trace = t->traces ? trace_find(t, 0, p) : NULL;
    if (trace && trace->block) {
        fputs("Memory block allocated at (most recent call first):\n", out);
        for (int i = 0; i < trace->stack->depth; i++) {
            const TraceFrame *frame = &trace->stack->frames[i];
            fputs("  File \"", out);
            for (Py_ssize_t at = 0; at < frame->file->length; at++) {
                Py_UCS4 c = PyUnicode_READ(frame->file->kind, frame->file->text, at);
                if (c >= ' ' && c <= 126) fputc((int)c, out);
                else fprintf(out, c <= 0xff ? "\\x%02x" : c <= 0xffff ? "\\u%04x" : "\\U%08x", c);
            }
            fprintf(out, "\", line %d\n", frame->line);
        }
        fputc('\n', out);
    }
    if (locked) unlock(t);
}

/* A block begins with what is hidden in front of its object. */
PyObject *tracing_object_traceback(PyObject *o)
{
    uintptr_t block = (uintptr_t)o;
    PageHeader *page = heap_owns(o) ? page_of(o) : NULL;
    if (page && page->kind >= PAGE_COLLECTABLE) {
        block = (uintptr_t)page->slots + (page->span ? 0 : (uintptr_t)slot_index(page, o) * page->slot_size);
    }
    return tracing_traceback(0, block);
}

PyObject *_PyTraceMalloc_GetTraceback(unsigned int domain, uintptr_t p) { return tracing_traceback(domain, p); }

/* ---- for extensions -------------------------------------------------------------------------------------------------- */

/* 0; -1: no memory; -2: tracing is off. No exception, and no GIL needed. */
int PyTraceMalloc_Track(unsigned int domain, uintptr_t p, size_t size)
{
    Traces *t = traces_get();
    if (!tracing_is_on()) return -2;
    lock(t);
    int result = t->on ? trace_add(t, domain, p, size) : -2;
    unlock(t);
    return result;
}

int PyTraceMalloc_Untrack(unsigned int domain, uintptr_t p)
{
    Traces *t = traces_get();
    if (!tracing_is_on()) return -2;
    lock(t);
    if (t->on) trace_remove(t, domain, p);
    int result = t->on ? 0 : -2;
    unlock(t);
    return result;
}
