/* The struct of the buffered streams (buffered.c). */
#ifndef TAIPAN_MODULES_IO_BUFFERED_H
#define TAIPAN_MODULES_IO_BUFFERED_H

#include "io_private.h"

typedef struct Buffered {
    IO_HEAD
    PyObject *raw;
    int ok;                                   /* initialised and usable */
    int detached;
    bool readable, writable, finalizing;
    bool fast_closed;                         /* exact classes over a FileIO: `closed` needs no attribute look-up of ours */
    off_t absolute;                           /* position of the raw stream, -1: not known */
    char *buffer;
    off_t position, raw_position, read_end, write_pos, write_end;
    PyThread_type_lock lock;
    volatile unsigned long owner;
    Py_ssize_t buffer_size;
} Buffered;

#define BUFFERED(o) ((Buffered *)(o))

#endif
