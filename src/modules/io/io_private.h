/* Shared by the files of the _io module. Each class has a file of its own.
 *
 *     _IOBase ── _RawIOBase ─────── FileIO
 *        ├────── _BufferedIOBase ── BytesIO, BufferedReader, BufferedWriter, BufferedRandom, BufferedRWPair
 *        └────── _TextIOBase ────── TextIOWrapper, StringIO
 *
 * All are heap types; every C struct below begins like an _IOBase (dict and weak references are fields). */
#ifndef TAIPAN_MODULES_IO_PRIVATE_H
#define TAIPAN_MODULES_IO_PRIVATE_H

#include "capi/args.h"

#include <errno.h>
#include <string.h>
#include <sys/types.h>

enum { DEFAULT_BUFFER_SIZE = 8192, SMALL_CHUNK = 8192 };

#define IO_HEAD PyObject_HEAD PyObject *dict; PyObject *weakrefs;

typedef struct IoBase { IO_HEAD } IoBase;

typedef struct IoState {
    PyTypeObject *io_base, *raw_io_base, *buffered_io_base, *text_io_base;
    PyTypeObject *file_io, *bytes_io, *bytes_io_buffer, *string_io;
    PyTypeObject *buffered_reader, *buffered_writer, *buffered_random, *buffered_rwpair;
    PyTypeObject *newline_decoder, *text_io_wrapper;
    PyObject *unsupported_operation;
} IoState;

extern struct PyModuleDef io_definition;

/* By an object whose type, or a base of it, belongs to the module. BORROWED; NULL with TypeError never happens for ours. */
IoState *io_state_of_type(PyTypeObject *type);
static inline IoState *io_state_of(PyObject *o) { return io_state_of_type(Py_TYPE(o)); }
static inline IoState *io_state(PyObject *module) { return PyModule_GetState(module); }

extern PyType_Spec io_base_spec, raw_io_base_spec, buffered_io_base_spec, text_io_base_spec, file_io_spec, bytes_io_spec,
    bytes_io_buffer_spec, string_io_spec, buffered_reader_spec, buffered_writer_spec, buffered_random_spec, buffered_rwpair_spec,
    newline_decoder_spec, text_io_wrapper_spec;

/* ---- helpers (iobase.c) ------------------------------------------------------------------------------------------------- */

PyObject *io_unsupported(IoState *state, const char *message);          /* returns NULL */
/* Raise UnsupportedOperation unless self.readable() (...) is true; 0 or -1. */
int io_require(IoState *state, PyObject *self, const char *method);
PyObject *io_error_closed(void);                                         /* "I/O operation on closed file."; returns NULL */
/* -1: an error other than BlockingIOError etc.; true when the exception is an InterruptedError that was handled: try again. */
bool io_trap_eintr(void);
int io_optional_size(PyObject *value, Py_ssize_t *size);                 /* None leaves it; 0 or -1 */
off_t io_offset(PyObject *value, PyObject *error);                    /* -1 with an exception */
/* o may be NULL, a stream that was taken away: ValueError. It is held during the call. */
PyObject *io_call(PyObject *o, const char *method);
PyObject *io_call1(PyObject *o, const char *method, PyObject *argument);
int io_truth(PyObject *result);                                          /* steals; -1 when NULL or error */

/* encoding=None and the like for open() and TextIOWrapper. New reference. */
PyObject *io_text_encoding(PyObject *encoding, int stacklevel);

/* Index after the end of the first line in text[start, end), or -1 and *consumed = how far was searched. See textio.c. */
Py_ssize_t io_find_line_ending(bool translated, bool universal, PyObject *newline, int kind, const char *start, const char *end,
                               Py_ssize_t *consumed);
/* IncrementalNewlineDecoder.decode() without call overhead; decoder is ours exactly. New reference. */
PyObject *io_newline_decode(PyObject *decoder, PyObject *input, int final);

int io_stream_rank(PyObject *o);                                         /* for the collector, see memory.h */

/* What FileIO knows cheaply for open(). */
bool file_io_exact(IoState *state, PyObject *raw);

#endif
