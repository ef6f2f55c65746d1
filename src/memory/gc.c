/* The cycle collector.
 *
 * Reference counting frees almost everything at once; what it cannot free are cycles. An object is garbage when every
 * reference to it comes from other garbage: for the objects of the generations in question (the candidates) we copy the
 * counts, subtract one for each reference between candidates, and whatever then has a positive count, and all it leads to,
 * is alive. The rest is unreachable.
 *
 * Objects have no header for this. The state byte of a slot says whether it is tracked and how old it is; the copies of the
 * counts are side arrays of the pages that have candidates, made for the collection and freed after it. The youngest
 * generation is the log of addresses in order of tracking, so that a young collection costs what is young; older ones are
 * found by walking the state bytes.
 *
 * Invariants
 *   - SLOT_LOGGED is set exactly while the log holds the slot's address, which it does once;
 *   - outside a collection no slot has SLOT_COLLECTING or SLOT_UNREACHABLE, and no page has counts;
 *   - while Python code runs during a collection (weak reference callbacks, finalisers, tp_clear) the collector owns a
 *     reference to every unreachable object: none can vanish under it.
 */
#include "memory/alloc.h"
#include "memory/gc.h"

#include <stdlib.h>
#include <string.h>

enum { LOG_INITIAL = 4096 };

typedef struct ObjectArray { PyObject **items; size_t count, capacity; } ObjectArray;

static bool array_push(ObjectArray *array, PyObject *o)
{
    if (UNLIKELY(array->count == array->capacity)) {
        size_t capacity = array->capacity ? array->capacity * 2 : 1024;
        PyObject **items = realloc(array->items, capacity * sizeof *items);
        if (!items) return false;
        array->items = items;
        array->capacity = capacity;
    }
    array->items[array->count++] = o;
    return true;
}

static bool array_append(ObjectArray *array, PyObject **objects, size_t n)
{
    if (n > array->capacity - array->count) {
        size_t capacity = array->count + n;
        PyObject **items = realloc(array->items, capacity * sizeof *items);
        if (!items) return false;
        array->items = items;
        array->capacity = capacity;
    }
    if (n) memcpy(array->items + array->count, objects, n * sizeof *objects);
    array->count += n;
    return true;
}

static void array_free(ObjectArray *array)
{
    free(array->items);
    *array = (ObjectArray){0};
}

/* ---- the log ------------------------------------------------------------------------------------------------------ */

int gc_init(Collector *gc)
{
    memset(gc, 0, sizeof *gc);
    gc->threshold[0] = 2000;
    gc->threshold[1] = gc->threshold[2] = 10;
    gc->enabled = true;
    if (!(gc->log = malloc(LOG_INITIAL * sizeof *gc->log))) return -1;
    gc->log_end = gc->log;
    gc->log_limit = gc->log + LOG_INITIAL;
    return 0;
}

void gc_destroy(Collector *gc)
{
    free(gc->log);
    free(gc->elders);
    gc->elders = NULL;
    gc->elder_count = gc->elder_capacity = 0;
    gc->log = gc->log_end = gc->log_limit = NULL;
}

static bool is_young(uint8_t state) { return (state & (SLOT_TRACKED | SLOT_GENERATION)) == SLOT_TRACKED; }

void gc_log_compact(Collector *gc)
{
    PyObject **to = gc->log;
    for (PyObject **from = gc->log; from < gc->log_end; from++) {
        if (UNLIKELY(!*from)) continue;                              /* gc_log_last */
        uint8_t *state = slot_state(*from);
        if (is_young(*state)) *to++ = *from;
        else *state &= (uint8_t)~SLOT_LOGGED;
    }
    gc->log_end = to;
}

/* The untracked object's address leaves the log, if it is among the newer entries: tracking it puts it at the end. */
COLD NOINLINE void gc_log_last(Collector *gc, PyObject *o)
{
    enum { FAR = 4096 };                                             /* entries that are searched: order must not cost too much */
    PyObject **oldest = gc->log_end - gc->log > FAR ? gc->log_end - FAR : gc->log;
    for (PyObject **p = gc->log_end; p > oldest;) {
        if (*--p != o) continue;
        *p = NULL;
        *slot_state(o) &= (uint8_t)~SLOT_LOGGED;
        return;
    }
}

COLD NOINLINE void gc_log_grow(Collector *gc)
{
    size_t capacity = (size_t)(gc->log_limit - gc->log), used;
    gc_log_compact(gc);
    used = (size_t)(gc->log_end - gc->log);
    if (used < capacity / 2) return;
    PyObject **log = realloc(gc->log, capacity * 2 * sizeof *log);
    if (!log) {
        if (used < capacity) return;
        for (PyObject **p = gc->log; p < gc->log_end; p++) {         /* no memory: all grow older at once, and need no log */
            uint8_t *state = slot_state(*p);
            *state = (uint8_t)((*state & ~(SLOT_GENERATION | SLOT_LOGGED)) | 1 << SLOT_GENERATION_SHIFT);
        }
        gc->log_end = gc->log;
        return;
    }
    gc->log = log;
    gc->log_end = log + used;
    gc->log_limit = log + capacity * 2;
}

COLD NOINLINE void gc_schedule(Thread *t)
{
    Collector *gc = &t->ts.interp->gc;
    if (gc->enabled && gc->threshold[0] && !gc->collecting) eval_breaker_set(&t->ts, EVAL_GC_SCHEDULED);
}

/* ---- walking the heap ---------------------------------------------------------------------------------------------- */

static bool walk_pages(Interpreter *interp, bool (*visit)(PyObject *, uint8_t, void *), void *arg)
{
    for (Segment *segment = interp->heap.segments; segment; segment = segment->next) {
        for (unsigned i = 1; i < SEGMENT_PAGES; i++) {
            PageHeader *page = &segment->pages[i];
            if (page->kind < PAGE_COLLECTABLE) continue;
            size_t prefix = (size_t)(page->kind - PAGE_COLLECTABLE) * 8;
            for (uint32_t slot = 0; slot < page->carved; slot++) {
                uint8_t state = page->state[slot];
                if (!(state & SLOT_TRACKED)) continue;
                PyObject *o = (PyObject *)(page->slots + (size_t)slot * page->slot_size + prefix);
                if (!visit(o, state, arg)) return false;
            }
        }
    }
    return true;
}

static unsigned generation_of(uint8_t state) { return (state & SLOT_GENERATION) >> SLOT_GENERATION_SHIFT; }

static void set_generation(uint8_t *state, unsigned generation)
{
    *state = (uint8_t)((*state & ~SLOT_GENERATION) | generation << SLOT_GENERATION_SHIFT);
}

/* ---- the order of finalisers ----------------------------------------------------------------------------------------- */

/* Garbage is finalised in the order in which it was tracked, as far as that is known: what was made first goes first. Only streams
 * that are old go before what they are built on, which was made earlier: else they could not write out what they hold. For the youngest generation the log knows. Of those that survive it, the few with finalisers are
 * listed once more, as addresses that nobody keeps right: another object may live there now, or nothing. */

/* Does a live old object with a finaliser start at this address? Its state, or NULL. */
static uint8_t *elder_state(Collector *gc, PyObject *o)
{
    if (!heap_owns(o)) return NULL;
    PageHeader *page = page_of(o);
    if (page->kind < PAGE_COLLECTABLE || &((Interpreter *)(void *)heap_of(page))->gc != gc) return NULL;
    char *start = (char *)o - (size_t)(page->kind - PAGE_COLLECTABLE) * 8;
    if (start < page->slots) return NULL;
    uint32_t slot = slot_index(page, o);
    if (slot >= page->carved || page->slots + (size_t)slot * page->slot_size != start) return NULL;
    uint8_t *state = &page->state[slot];
    return (*state & SLOT_TRACKED) && generation_of(*state) > 0 && Py_TYPE(o)->tp_finalize ? state : NULL;
}

/* Drops stale entries, and all but the last of repeated ones. Only before anything is marked SLOT_UNREACHABLE. */
static void elders_compact(Collector *gc)
{
    size_t to = gc->elder_count;
    for (size_t i = gc->elder_count; i-- > 0;) {
        uint8_t *state = elder_state(gc, gc->elders[i]);
        if (!state || *state & SLOT_UNREACHABLE) continue;
        *state |= SLOT_UNREACHABLE;
        gc->elders[--to] = gc->elders[i];
    }
    gc->elder_count -= to;
    if (gc->elder_count) memmove(gc->elders, gc->elders + to, gc->elder_count * sizeof *gc->elders);
    for (size_t i = 0; i < gc->elder_count; i++) *slot_state(gc->elders[i]) &= (uint8_t)~SLOT_UNREACHABLE;
}

/* Without memory the order is forgotten. */
COLD NOINLINE static bool elders_make_room(Collector *gc)
{
    elders_compact(gc);
    if (gc->elder_count < gc->elder_capacity / 2) return true;
    size_t capacity = gc->elder_capacity ? gc->elder_capacity * 2 : 256;
    PyObject **elders = realloc(gc->elders, capacity * sizeof *elders);
    if (!elders) return false;
    gc->elders = elders;
    gc->elder_capacity = capacity;
    return true;
}

static void elders_add(Collector *gc, PyObject *o)
{
    if (UNLIKELY(gc->elder_count == gc->elder_capacity) && !elders_make_room(gc)) return;
    gc->elders[gc->elder_count++] = o;
}

static bool is_due(PyObject *o, uint8_t state) { return !(state & SLOT_FINALIZED) && generation_of(state) > 0 && Py_TYPE(o)->tp_finalize; }

/* Among the places of the streams, those of a lower rank come first. Without memory all stays as it is. */
static void order_streams(Collector *gc, PyObject **due, size_t count)
{
    PyObject **streams = gc->stream_rank ? malloc(count * sizeof *streams) : NULL;
    if (!streams) return;
    size_t found = 0, placed = 0;
    for (int rank = 0; rank < STREAM_RANKS; rank++)
        for (size_t i = 0; i < count; i++)
            if (gc->stream_rank(due[i]) == rank) streams[found++] = due[i];
    for (size_t i = 0; i < count; i++)
        if (gc->stream_rank(due[i]) >= 0) due[i] = streams[placed++];
    free(streams);
}

/* Old garbage comes by address: those with finalisers change places until they are in order. All garbage is marked SLOT_UNREACHABLE. */
static void order_finalizers(Collector *gc, ObjectArray *garbage)
{
    size_t due = 0, at;
    for (size_t i = 0; i < garbage->count; i++) due += is_due(garbage->items[i], *slot_state(garbage->items[i]));
    PyObject **ordered = due > 1 ? malloc(due * sizeof *ordered) : NULL;
    if (!ordered) return;
    at = due;
    for (size_t i = gc->elder_count; i-- > 0 && at;) {
        uint8_t *state = elder_state(gc, gc->elders[i]);
        if (!state || (*state & (SLOT_UNREACHABLE | SLOT_COLLECTING | SLOT_FINALIZED)) != SLOT_UNREACHABLE) continue;
        *state |= SLOT_COLLECTING;
        ordered[--at] = gc->elders[i];
    }
    order_streams(gc, ordered + at, due - at);
    for (size_t i = 0; i < garbage->count; i++) {
        uint8_t *state = slot_state(garbage->items[i]);
        if (!(*state & SLOT_COLLECTING)) continue;
        *state &= (uint8_t)~SLOT_COLLECTING;
        garbage->items[i] = ordered[at++];
    }
    free(ordered);
}

typedef struct Selection { ObjectArray *into; unsigned from, to; } Selection;

static bool select_old(PyObject *o, uint8_t state, void *arg)
{
    Selection *s = arg;
    unsigned generation = generation_of(state);
    return generation < s->from || generation > s->to || array_push(s->into, o);
}

/* Tracked objects of generations from .. to, oldest first, the young ones in order of tracking. */
static bool select_objects(Interpreter *interp, unsigned from, unsigned to, ObjectArray *into)
{
    if (to > 0) {
        Selection s = { into, from ? from : 1, to };
        if (!walk_pages(interp, select_old, &s)) return false;
    }
    if (from == 0) {
        gc_log_compact(&interp->gc);
        return array_append(into, interp->gc.log, (size_t)(interp->gc.log_end - interp->gc.log));
    }
    return true;
}

/* ---- counts -------------------------------------------------------------------------------------------------------- */

static ALWAYS_INLINE bool in_collectable_memory(PyObject *o)
{
    PyTypeObject *type = Py_TYPE(o);
    if (!(type->tp_flags & Py_TPFLAGS_HAVE_GC) || _Py_IsImmortal(o)) return false;
    return LIKELY(!type->tp_is_gc) || type->tp_is_gc(o);
}

/* tp_traverse, with the commonest containers looked through here, where visit is known. */
static ALWAYS_INLINE void traverse(PyObject *o, visitproc visit, void *arg)
{
    PyTypeObject *type = Py_TYPE(o);
    PyObject **items;
    Py_ssize_t n;
    if (type == &PyTuple_Type) {
        items = ((PyTupleObject *)o)->ob_item;
        n = PyTuple_GET_SIZE(o);
    }
    else if (type == &PyList_Type) {
        items = ((PyListObject *)o)->ob_item;
        n = PyList_GET_SIZE(o);
    }
    else {
        type->tp_traverse(o, visit, arg);
        return;
    }
    for (Py_ssize_t i = 0; i < n; i++)
        if (items[i]) visit(items[i], arg);
}

/* Copies the counts of the candidates less `owned` references of our own, and marks them. False: no memory. */
static bool copy_counts(ObjectArray *candidates, Py_ssize_t owned)
{
    for (size_t i = 0; i < candidates->count; i++) {
        PyObject *o = candidates->items[i];
        PageHeader *page = page_of(o);
        if (!page->counts && !(page->counts = malloc(page->capacity * sizeof *page->counts))) return false;
        Py_ssize_t count = Py_REFCNT(o) - owned;
        uint32_t slot = slot_index(page, o);
        page->counts[slot] = count > INT32_MAX ? INT32_MAX : (int32_t)count;
        page->state[slot] |= SLOT_COLLECTING;
    }
    return true;
}

static void drop_counts(ObjectArray *candidates)
{
    for (size_t i = 0; i < candidates->count; i++) {
        PyObject *o = candidates->items[i];
        PageHeader *page = page_of(o);
        free(page->counts);
        page->counts = NULL;
        *slot_state(o) &= (uint8_t)~(SLOT_COLLECTING | SLOT_UNREACHABLE);
    }
}

static int subtract_one(PyObject *o, void *arg)
{
    if (!in_collectable_memory(o)) return 0;
    PageHeader *page = page_of(o);
    uint32_t slot = slot_index(page, o);
    if (page->state[slot] & SLOT_COLLECTING) page->counts[slot]--;
    return 0;
}

typedef struct Marking { ObjectArray stack; bool failed; } Marking;

static int mark_reachable(PyObject *o, void *arg)
{
    Marking *m = arg;
    if (!in_collectable_memory(o)) return 0;
    uint8_t *state = slot_state(o);
    if (!(*state & SLOT_COLLECTING)) return 0;
    *state &= (uint8_t)~SLOT_COLLECTING;
    if (!array_push(&m->stack, o)) m->failed = true;
    return 0;
}

/* Afterwards exactly the unreachable candidates still have SLOT_COLLECTING. False: no memory, nothing is known. */
static bool find_unreachable(ObjectArray *candidates, Py_ssize_t owned)
{
    Marking m = {0};
    if (!copy_counts(candidates, owned)) return false;
    for (size_t i = 0; i < candidates->count; i++) traverse(candidates->items[i], subtract_one, NULL);
    for (size_t i = 0; i < candidates->count && !m.failed; i++) {
        PyObject *o = candidates->items[i];
        PageHeader *page = page_of(o);
        uint32_t slot = slot_index(page, o);
        if (page->counts[slot] <= 0 || !(page->state[slot] & SLOT_COLLECTING)) continue;
        page->state[slot] &= (uint8_t)~SLOT_COLLECTING;
        traverse(o, mark_reachable, &m);
        while (m.stack.count) traverse(m.stack.items[--m.stack.count], mark_reachable, &m);
    }
    array_free(&m.stack);
    return !m.failed;
}

/* ---- what is done with garbage ------------------------------------------------------------------------------------- */

static bool has_legacy_finalizer(PyObject *o) { return Py_TYPE(o)->tp_del != NULL; }

static int mark_needed_by_legacy(PyObject *o, void *arg)
{
    Marking *m = arg;
    if (!in_collectable_memory(o)) return 0;
    uint8_t *state = slot_state(o);
    if (!(*state & SLOT_COLLECTING) || (*state & SLOT_UNREACHABLE)) return 0;
    *state |= SLOT_UNREACHABLE;
    if (!array_push(&m->stack, o)) m->failed = true;
    return 0;
}

/* Objects with tp_del, and what they lead to, cannot be freed: they move from garbage to kept. */
static bool separate_legacy(ObjectArray *garbage, ObjectArray *kept)
{
    Marking m = {0};
    bool any = false;
    for (size_t i = 0; i < garbage->count; i++) {
        if (!has_legacy_finalizer(garbage->items[i])) continue;
        any = true;
        mark_needed_by_legacy(garbage->items[i], &m);
        while (m.stack.count) {
            PyObject *next = m.stack.items[--m.stack.count];
            Py_TYPE(next)->tp_traverse(next, mark_needed_by_legacy, &m);
        }
    }
    array_free(&m.stack);
    if (m.failed) return false;
    if (!any) return true;
    size_t to = 0;
    for (size_t i = 0; i < garbage->count; i++) {
        PyObject *o = garbage->items[i];
        if (!(*slot_state(o) & SLOT_UNREACHABLE)) garbage->items[to++] = o;
        else if (!array_push(kept, o)) return false;
    }
    garbage->count = to;
    return true;
}

/* Clears the weak references to garbage, and calls the callbacks of those that are not garbage themselves. */
static void handle_weakrefs(ObjectArray *garbage)
{
    ObjectArray due = {0};
    for (size_t i = 0; i < garbage->count; i++) {
        PyObject *o = garbage->items[i];
        PyWeakReference *ref, **list = weakref_list(o, false);
        if (PyWeakref_Check(o)) {
            /* garbage that is a weak reference: its callback must not run, and must not see what dies with it */
            _PyWeakref_ClearRef((PyWeakReference *)o);
        }
        if (!list) continue;
        while ((ref = *list) != NULL) {
            /* one whose own destruction is under way, or put off, is no more to be seen */
            bool calls = ref->wr_callback && Py_REFCNT(ref) > 0 && !(*slot_state((PyObject *)ref) & SLOT_COLLECTING);
            weakref_clear_one(ref);
            if (calls && array_push(&due, (PyObject *)ref)) Py_INCREF(ref);
            list = weakref_list(o, false);
            if (!list) break;
        }
    }
    for (size_t i = 0; i < due.count; i++) {
        PyWeakReference *ref = (PyWeakReference *)due.items[i];
        PyObject *callback = ref->wr_callback;
        if (callback) {
            ref->wr_callback = NULL;
            PyObject *result = PyObject_CallOneArg(callback, (PyObject *)ref);
            if (result) Py_DECREF(result);
            else PyErr_WriteUnraisable(callback);
            Py_DECREF(callback);
        }
    }
    for (size_t i = 0; i < due.count; i++) Py_DECREF(due.items[i]);
    array_free(&due);
}

static void finalize(ObjectArray *garbage)
{
    for (size_t i = 0; i < garbage->count; i++) {
        PyObject *o = garbage->items[i];
        destructor finalizer = Py_TYPE(o)->tp_finalize;
        uint8_t *state = slot_state(o);
        if (!finalizer || (*state & SLOT_FINALIZED)) continue;
        *state |= SLOT_FINALIZED;
        finalizer(o);
        assert(!PyErr_Occurred());
    }
}

/* Moves what the finalisers brought back to life out of garbage; it grows older like any survivor. */
static void separate_resurrected(ObjectArray *garbage, unsigned older)
{
    bool known = find_unreachable(garbage, 1);
    size_t to = 0;
    for (size_t i = 0; i < garbage->count; i++) {
        PyObject *o = garbage->items[i];
        if (known && (*slot_state(o) & SLOT_COLLECTING)) continue;
        *slot_state(o) &= (uint8_t)~SLOT_UNREACHABLE;       /* alive after all */
    }
    for (size_t i = 0; i < garbage->count; i++) {
        PyObject *o = garbage->items[i];
        PageHeader *page = page_of(o);
        free(page->counts);
        page->counts = NULL;
    }
    for (size_t i = 0; i < garbage->count; i++) {
        PyObject *o = garbage->items[i];
        uint8_t *state = slot_state(o);
        bool alive = !(*state & SLOT_UNREACHABLE);
        *state &= (uint8_t)~SLOT_COLLECTING;
        if (!alive) garbage->items[to++] = o;
        else {
            if (*state & SLOT_TRACKED) set_generation(state, older);
            Py_DECREF(o);
        }
    }
    garbage->count = to;
}

static void clear_garbage(Collector *gc, ObjectArray *garbage)
{
    for (size_t i = 0; i < garbage->count; i++) {
        PyObject *o = garbage->items[i];
        if (gc->debug & GC_DEBUG_SAVEALL) {
            if (PyList_Append(gc->garbage, o) < 0) PyErr_Clear();
            uint8_t *state = slot_state(o);
            *state &= (uint8_t)~SLOT_UNREACHABLE;
            if (*state & SLOT_TRACKED) set_generation(state, 2);
        }
        else {
            inquiry clear = Py_TYPE(o)->tp_clear;
            if (clear) {
                clear(o);
                if (PyErr_Occurred()) PyErr_WriteUnraisable((PyObject *)Py_TYPE(o));
            }
            uint8_t *state = slot_state(o);
            *state &= (uint8_t)~SLOT_UNREACHABLE;
            if ((*state & SLOT_TRACKED) && generation_of(*state) == 0) set_generation(state, 1);
        }
        Py_DECREF(o);
    }
}

static void report(const char *what, PyObject *o)
{
    PySys_FormatStderr("gc: %s <%s %p>\n", what, Py_TYPE(o)->tp_name, o);
}

/* Tuples that hold nothing collectable need not be looked at again. */
static void untrack_tuple(PyObject *o, uint8_t *state)
{
    for (Py_ssize_t i = PyTuple_GET_SIZE(o); --i >= 0;) {
        PyObject *item = PyTuple_GET_ITEM(o, i);
        if (!item) return;
        if (in_collectable_memory(item) && (!PyTuple_CheckExact(item) || gc_is_tracked(item))) return;
    }
    *state &= (uint8_t)~SLOT_TRACKED;
}

/* ---- a collection --------------------------------------------------------------------------------------------------- */

static void invoke_callbacks(Collector *gc, const char *phase, int generation, Py_ssize_t collected, Py_ssize_t uncollectable)
{
    if (!gc->callbacks || PyList_GET_SIZE(gc->callbacks) == 0) return;
    PyObject *info = Py_BuildValue("{sisnsn}", "generation", generation, "collected", collected, "uncollectable", uncollectable);
    PyObject *name = PyUnicode_FromString(phase);
    for (Py_ssize_t i = 0; info && name && i < PyList_GET_SIZE(gc->callbacks); i++) {
        PyObject *callback = Py_NewRef(PyList_GET_ITEM(gc->callbacks, i));
        PyObject *result = PyObject_CallFunctionObjArgs(callback, name, info, NULL);
        if (result) Py_DECREF(result);
        else PyErr_WriteUnraisable(callback);
        Py_DECREF(callback);
    }
    if (PyErr_Occurred()) PyErr_WriteUnraisable(NULL);
    Py_XDECREF(name);
    Py_XDECREF(info);
}

/* Survivors move one generation up; what is unreachable goes to garbage, with a reference that garbage owns. */
static bool split(Collector *gc, ObjectArray *candidates, unsigned generation, ObjectArray *garbage)
{
    unsigned older = generation < 2 ? generation + 1 : 2;
    for (size_t i = 0; i < candidates->count; i++) {
        PyObject *o = candidates->items[i];
        uint8_t *state = slot_state(o);
        if (*state & SLOT_COLLECTING) {
            if (!array_push(garbage, o)) return false;
            continue;
        }
        if (PyTuple_CheckExact(o)) untrack_tuple(o, state);
        /* Dicts only in full collections: while one grows it would be untracked again and again. */
        else if (generation == 2 && PyDict_CheckExact(o) && dict_is_untrackable(o)) *state &= (uint8_t)~SLOT_TRACKED;
        if (generation == 1 && *state & SLOT_TRACKED) gc->long_lived_pending++;
        bool was_young = generation_of(*state) == 0;
        set_generation(state, older);
        if (was_young && UNLIKELY(Py_TYPE(o)->tp_finalize)) elders_add(gc, o);
    }
    for (size_t i = 0; i < garbage->count; i++) Py_INCREF(garbage->items[i]);
    return true;
}

static void keep_uncollectable(Collector *gc, ObjectArray *kept)
{
    for (size_t i = 0; i < kept->count; i++) {
        PyObject *o = kept->items[i];
        if (gc->debug & GC_DEBUG_UNCOLLECTABLE) report("uncollectable", o);
        if (gc->garbage && ((gc->debug & GC_DEBUG_SAVEALL) || has_legacy_finalizer(o)) && PyList_Append(gc->garbage, o) < 0) PyErr_Clear();
        uint8_t *state = slot_state(o);
        *state &= (uint8_t)~(SLOT_COLLECTING | SLOT_UNREACHABLE);
        set_generation(state, 2);
        Py_DECREF(o);
    }
}

static void collect(PyThreadState *ts, unsigned generation, bool with_callbacks, Py_ssize_t *collected, Py_ssize_t *uncollectable)
{
    Interpreter *interp = ts->interp;
    Collector *gc = &interp->gc;
    ObjectArray candidates = {0}, garbage = {0}, kept = {0};

    if (with_callbacks) invoke_callbacks(gc, "start", (int)generation, 0, 0);
    PyObject *pending = PyErr_GetRaisedException();
    if (gc->debug & GC_DEBUG_STATS) PySys_WriteStderr("gc: collecting generation %u...\n", generation);
    if (generation + 1 < GENERATIONS) gc->count[generation + 1]++;
    for (unsigned i = 0; i <= generation; i++) gc->count[i] = 0;
    gc->young_count = 0;

    bool found = select_objects(interp, 0, generation, &candidates) && find_unreachable(&candidates, 0)
                 && split(gc, &candidates, generation, &garbage);
    if (!found) garbage.count = 0;                       /* no memory to look: all is taken to be alive */
    bool legacy = !found || separate_legacy(&garbage, &kept);
    for (size_t i = 0; i < candidates.count; i++) {
        PageHeader *page = page_of(candidates.items[i]);
        free(page->counts);
        page->counts = NULL;
    }
    if (!found || !legacy) drop_counts(&candidates);
    else gc_log_compact(gc);                             /* survivors have left the youngest generation */
    if (generation == 2) {
        gc->long_lived_pending = 0;
        gc->long_lived_total = (Py_ssize_t)(candidates.count - garbage.count);
    }
    array_free(&candidates);

    if (gc->debug & GC_DEBUG_COLLECTABLE)
        for (size_t i = 0; i < garbage.count; i++) report("collectable", garbage.items[i]);
    handle_weakrefs(&garbage);                           /* still marked SLOT_COLLECTING: that tells garbage from the rest */
    for (size_t i = 0; i < garbage.count; i++) {         /* gc.get_objects does not show them from here on */
        uint8_t *state = slot_state(garbage.items[i]);
        *state = (uint8_t)((*state & ~SLOT_COLLECTING) | SLOT_UNREACHABLE);
    }
    order_finalizers(gc, &garbage);
    finalize(&garbage);
    separate_resurrected(&garbage, generation < 2 ? generation + 1 : 2);
    *collected = (Py_ssize_t)garbage.count;
    *uncollectable = (Py_ssize_t)kept.count;
    clear_garbage(gc, &garbage);
    if (garbage.count) gc_log_compact(gc);               /* slots that are taken again need not be searched for in it */
    keep_uncollectable(gc, &kept);
    array_free(&garbage);
    array_free(&kept);

    if (gc->debug & GC_DEBUG_STATS)
        PySys_WriteStderr("gc: done, %zd unreachable, %zd uncollectable.\n", *collected + *uncollectable, *uncollectable);
    gc->stats[generation].collections++;
    gc->stats[generation].collected += *collected;
    gc->stats[generation].uncollectable += *uncollectable;
    if (pending) PyErr_SetRaisedException(pending);
    if (with_callbacks) invoke_callbacks(gc, "stop", (int)generation, *collected, *uncollectable);
}

static Py_ssize_t collect_guarded(PyThreadState *ts, int generation, bool with_callbacks)
{
    Collector *gc = &ts->interp->gc;
    Py_ssize_t collected = 0, uncollectable = 0;
    if (gc->collecting) return 0;
    if (generation == 2) interp_adopt_ended();
    gc->collecting = true;
    collect(ts, (unsigned)generation, with_callbacks, &collected, &uncollectable);
    gc->collecting = false;
    return collected + uncollectable;
}

Py_ssize_t gc_collect_generation(PyThreadState *ts, int generation)
{
    PyObject *pending = PyErr_GetRaisedException();
    Py_ssize_t found = collect_guarded(ts, generation, true);
    PyErr_SetRaisedException(pending);
    return found;
}

void gc_run_scheduled(PyThreadState *ts)
{
    Collector *gc = &ts->interp->gc;
    eval_breaker_clear(ts, EVAL_GC_SCHEDULED);
    if (!gc->enabled || gc->collecting || gc->young_count <= gc->threshold[0] || !gc->threshold[0]) return;
    for (int i = GENERATIONS - 1; i >= 0; i--) {
        if ((i ? gc->count[i] : gc->young_count) <= gc->threshold[i]) continue;
        /* A full collection only when enough has grown old since the last one: linear in total, not quadratic. */
        if (i == 2 && gc->long_lived_pending < gc->long_lived_total / 4) continue;
        gc_collect_generation(ts, i);
        break;
    }
}

Py_ssize_t gc_collect_at_exit(PyThreadState *ts)
{
    return collect_guarded(ts, 2, false);
}

/* What ended in gc.garbage is worth a warning, and with DEBUG_UNCOLLECTABLE a list. */
void gc_report_at_exit(PyThreadState *ts)
{
    Collector *gc = &ts->interp->gc;
    if (!gc->garbage || PyList_GET_SIZE(gc->garbage) == 0 || gc->debug & GC_DEBUG_SAVEALL) return;
    const char *format = gc->debug & GC_DEBUG_UNCOLLECTABLE
        ? "gc: %zd uncollectable objects at shutdown"
        : "gc: %zd uncollectable objects at shutdown; use gc.set_debug(gc.DEBUG_UNCOLLECTABLE) to list them";
    if (PyErr_WarnExplicitFormat(PyExc_ResourceWarning, "gc", 0, "gc", NULL, format, PyList_GET_SIZE(gc->garbage)) < 0)
        PyErr_FormatUnraisable("Exception ignored in garbage collection");
    if (!(gc->debug & GC_DEBUG_UNCOLLECTABLE)) return;
    PyObject *repr = PyObject_Repr(gc->garbage), *bytes = repr ? PyUnicode_EncodeFSDefault(repr) : NULL;
    if (bytes) PySys_WriteStderr("      %s\n", PyBytes_AS_STRING(bytes));
    else PyErr_FormatUnraisable("Exception ignored in garbage collection");
    Py_XDECREF(repr);
    Py_XDECREF(bytes);
}

/* ---- queries ---------------------------------------------------------------------------------------------------------- */

typedef struct ListRequest { PyObject *list; unsigned from, to; } ListRequest;

/* The tracked objects of generations from .. to except `except`, as a new list; not what a running collection is about to free.
 * NULL with MemoryError. */
PyObject *gc_list_objects(PyThreadState *ts, int from, int to, PyObject *except)
{
    ObjectArray found = {0};
    PyObject *list = PyList_New(0);
    if (!list) return NULL;
    if (!select_objects(ts->interp, (unsigned)from, (unsigned)to, &found)) PyErr_NoMemory();
    for (size_t i = 0; i < found.count && !PyErr_Occurred(); i++) {
        PyObject *o = found.items[i];
        if (o != list && o != except && !(*slot_state(o) & SLOT_UNREACHABLE)) PyList_Append(list, o);
    }
    array_free(&found);
    if (PyErr_Occurred()) Py_CLEAR(list);
    return list;
}

static bool freeze_one(PyObject *o, uint8_t state, void *arg)
{
    unsigned *move = arg;                                 /* from, to; from 4: any but frozen */
    if (generation_of(state) == move[0] || (move[0] == 4 && generation_of(state) != 3)) set_generation(slot_state(o), move[1]);
    return true;
}

void gc_freeze(PyThreadState *ts)
{
    unsigned move[2] = { 4, 3 };
    walk_pages(ts->interp, freeze_one, move);
    gc_log_compact(&ts->interp->gc);
    ts->interp->gc.young_count = 0;
}

void gc_unfreeze(PyThreadState *ts)
{
    unsigned move[2] = { 3, 2 };
    walk_pages(ts->interp, freeze_one, move);
}

static bool count_frozen(PyObject *o, uint8_t state, void *arg)
{
    if (generation_of(state) == 3) ++*(Py_ssize_t *)arg;
    return true;
}

Py_ssize_t gc_frozen_count(PyThreadState *ts)
{
    Py_ssize_t n = 0;
    walk_pages(ts->interp, count_frozen, &n);
    return n;
}

/* ---- the public functions ------------------------------------------------------------------------------------------------ */

Py_ssize_t PyGC_Collect(void)
{
    PyThreadState *ts = PyThreadState_Get();
    return ts->interp->gc.enabled ? gc_collect_generation(ts, 2) : 0;
}

int PyGC_Enable(void)
{
    Collector *gc = &interp_get()->gc;
    int was = gc->enabled;
    gc->enabled = true;
    return was;
}

int PyGC_Disable(void)
{
    Collector *gc = &interp_get()->gc;
    int was = gc->enabled;
    gc->enabled = false;
    return was;
}

int PyGC_IsEnabled(void) { return interp_get()->gc.enabled; }

void PyUnstable_GC_VisitObjects(gcvisitobjects_t callback, void *arg)
{
    PyThreadState *ts = PyThreadState_Get();
    Collector *gc = &ts->interp->gc;
    ObjectArray all = {0};
    bool enabled = gc->enabled;
    gc->enabled = false;
    if (select_objects(ts->interp, 0, 3, &all)) {
        for (size_t i = 0; i < all.count; i++) Py_INCREF(all.items[i]);
        size_t i = 0;
        while (i < all.count && callback(all.items[i], arg)) i++;
        for (i = 0; i < all.count; i++) Py_DECREF(all.items[i]);
    }
    array_free(&all);
    gc->enabled = enabled;
}
