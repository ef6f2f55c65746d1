/* Allocation tracing: which frames allocated the memory that lives. The module _tracemalloc and PyTraceMalloc_* are its faces. */
#ifndef TAIPAN_MEMORY_TRACING_H
#define TAIPAN_MEMORY_TRACING_H

#include "taipan.h"

enum { TRACING_FRAMES_MAX = 65535 };

int tracing_start(int max_frames);                   /* 0, or -1 with MemoryError or ValueError. Nothing when it is on */
void tracing_stop(void);                             /* forgets everything */
bool tracing_is_on(void);
int tracing_frame_limit(void);
void tracing_clear(void);
void tracing_memory(size_t *current, size_t *peak);
void tracing_reset_peak(void);
size_t tracing_overhead(void);                       /* bytes that the tables take */
PyObject *tracing_list(void);                        /* NEW list of (domain, size, frames, total number of frames) */
PyObject *tracing_object_traceback(PyObject *o);
void tracing_dump_block(FILE *out, uintptr_t p);     /* where it was allocated, as a fatal error tells it */
void tracing_after_fork(void);                       /* in the child */

PyAPI_FUNC(int) PyTraceMalloc_Track(unsigned int domain, uintptr_t pointer, size_t size);
PyAPI_FUNC(int) PyTraceMalloc_Untrack(unsigned int domain, uintptr_t pointer);
PyAPI_FUNC(PyObject *) _PyTraceMalloc_GetTraceback(unsigned int domain, uintptr_t pointer);

#endif
