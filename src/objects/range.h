/* range iterators over C longs, for the inline paths of FOR_ITER. */
#ifndef TAIPAN_OBJECTS_RANGE_H
#define TAIPAN_OBJECTS_RANGE_H

#include "taipan.h"

/* Yields start, start + step, ... len times; never overflows before len is 0. */
typedef struct RangeIterator {
    PyObject_HEAD
    long start, step, len;
} RangeIterator;

#endif
