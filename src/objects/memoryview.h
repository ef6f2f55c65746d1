/* What memoryview offers beyond Python.h. */
#ifndef TAIPAN_OBJECTS_MEMORYVIEW_H
#define TAIPAN_OBJECTS_MEMORYVIEW_H

#include "taipan.h"

extern PyTypeObject memory_managed_buffer_type, memory_iterator_type;

/* The buffer that this function of o exports, whatever o's type has in that slot: super().__buffer__ of a built-in base. */
PyObject *memoryview_from_function(PyObject *o, int flags, getbufferproc function);

#endif
