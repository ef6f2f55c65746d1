/* What buffer.c offers beyond Python.h. */
#ifndef TAIPAN_CAPI_BUFFER_H
#define TAIPAN_CAPI_BUFFER_H

#include "taipan.h"

/* Copies items between two views of the same shape and item size, which may overlap. 0 or -1 with MemoryError. */
int buffer_copy(const Py_buffer *to, const Py_buffer *from);

#endif
