/* Fault injection: allocations that fail on demand, for tests of how the rest copes (tests/oom.py).
 *
 * Three allocators over the present ones, as for tracing: allocations are counted, and those with a number from `first` up to
 * `last` get NULL. Nothing asks for it while it is off. Counting is not exact with several threads, which no test needs. */
#include "memory/memory.h"
#include "runtime/state.h"

#include <execinfo.h>
#include <stdlib.h>

enum { FAULT_STACK = 16 };

struct AllocationFaults {
    long count, failed;
    long first, last;                    /* numbers of allocations, from 0; last < 0: no end */
    bool on;
    int depth;                           /* of the C stack at the last failure */
    void *stack[FAULT_STACK];
    PyMemAllocatorEx below[3];
};

static struct AllocationFaults *faults_get(void) { return _PyRuntime.memory.faults; }

static bool fails(void)
{
    struct AllocationFaults *f = faults_get();
    long number = f->count++;
    if (number < f->first || (f->last >= 0 && number > f->last)) return false;
    f->failed++;
    f->depth = backtrace(f->stack, FAULT_STACK);
    return true;
}

static void *faulty_malloc(void *context, size_t size)
{
    const PyMemAllocatorEx *below = context;
    return fails() ? NULL : below->malloc(below->ctx, size);
}

static void *faulty_calloc(void *context, size_t n, size_t size)
{
    const PyMemAllocatorEx *below = context;
    return fails() ? NULL : below->calloc(below->ctx, n, size);
}

static void *faulty_realloc(void *context, void *p, size_t size)
{
    const PyMemAllocatorEx *below = context;
    return fails() ? NULL : below->realloc(below->ctx, p, size);
}

static void faulty_free(void *context, void *p)
{
    const PyMemAllocatorEx *below = context;
    below->free(below->ctx, p);
}

bool memory_faults_start(long first, long last)
{
    struct AllocationFaults *f = faults_get();
    if (!f && !(f = _PyRuntime.memory.faults = calloc(1, sizeof *f))) return false;
    f->count = f->failed = f->depth = 0;
    f->first = first;
    f->last = last;
    if (f->on) return true;
    f->on = true;
    for (int domain = PYMEM_DOMAIN_RAW; domain <= PYMEM_DOMAIN_OBJ; domain++) {
        PyMem_GetAllocator((PyMemAllocatorDomain)domain, &f->below[domain]);
        PyMemAllocatorEx faulty = { &f->below[domain], faulty_malloc, faulty_calloc, faulty_realloc, faulty_free };
        PyMem_SetAllocator((PyMemAllocatorDomain)domain, &faulty);
    }
    return true;
}

void memory_faults_stop(long *count, long *failed)
{
    struct AllocationFaults *f = faults_get();
    *count = *failed = 0;
    if (!f || !f->on) return;
    f->on = false;
    *count = f->count;
    *failed = f->failed;
    for (int domain = PYMEM_DOMAIN_RAW; domain <= PYMEM_DOMAIN_OBJ; domain++)
        PyMem_SetAllocator((PyMemAllocatorDomain)domain, &f->below[domain]);
}

/* Where the last one failed: a NEW tuple of code addresses, innermost first. */
PyObject *memory_faults_stack(void)
{
    struct AllocationFaults *f = faults_get();
    int depth = f ? f->depth : 0;
    PyObject *stack = PyTuple_New(depth);
    for (int i = 0; stack && i < depth; i++) {
        PyObject *address = PyLong_FromVoidPtr(f->stack[i]);
        if (!address) Py_CLEAR(stack);
        else PyTuple_SET_ITEM(stack, i, address);
    }
    return stack;
}

/* TAIPAN_FAIL_ALLOCATIONS=FIRST[:LAST] in the environment of a build with assertions: from the very start. */
void memory_faults_from_environment(void)
{
#ifndef NDEBUG
    const char *text = getenv("TAIPAN_FAIL_ALLOCATIONS");
    if (!text) return;
    char *end;
    long first = strtol(text, &end, 10);
    memory_faults_start(first, *end == ':' ? strtol(end + 1, NULL, 10) : -1);
#endif
}
