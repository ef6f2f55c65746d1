/* What the gc module needs of the collector. */
#ifndef TAIPAN_MEMORY_GC_H
#define TAIPAN_MEMORY_GC_H

#include "runtime/state.h"

enum { GC_DEBUG_STATS = 1, GC_DEBUG_COLLECTABLE = 2, GC_DEBUG_UNCOLLECTABLE = 4, GC_DEBUG_SAVEALL = 32,
       GC_DEBUG_LEAK = GC_DEBUG_COLLECTABLE | GC_DEBUG_UNCOLLECTABLE | GC_DEBUG_SAVEALL };

PyObject *gc_list_objects(PyThreadState *ts, int from, int to, PyObject *except);
void gc_freeze(PyThreadState *ts);
void gc_unfreeze(PyThreadState *ts);
Py_ssize_t gc_frozen_count(PyThreadState *ts);

#endif
