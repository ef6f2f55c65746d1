/* Where an unpickler reads from: a buffer, refilled from a file when there is one.
 *
 * With peek() the bytes are looked at first and skipped in the file afterwards (input_skip_consumed), so that the file
 * stands right behind the pickle in the end; without it, no byte more than needed is read. */
#include "pickle_private.h"

enum { CHUNK = 1 << 20 };                     /* a length in the pickle is believed that far; more as the data really comes */

COLD int input_truncated(Unpickler *u)
{
    PyErr_SetString(u->stack->state->unpickling_error, "pickle data was truncated");
    return -1;
}

int input_set_stream(Unpickler *u, PyObject *file)
{
    PyObject *peek = NULL, *readinto = NULL, *read = NULL, *readline = NULL;
    if (PyObject_GetOptionalAttr(file, STR(peek), &peek) < 0 || PyObject_GetOptionalAttr(file, STR(readinto), &readinto) < 0 ||
        PyObject_GetOptionalAttr(file, STR(read), &read) < 0 || PyObject_GetOptionalAttr(file, STR(readline), &readline) < 0) goto error;
    if (!read || !readline) {
        PyErr_SetString(PyExc_TypeError, "file must have 'read' and 'readline' attributes");
        goto error;
    }
    SET_FIELD(u->peek, peek);
    SET_FIELD(u->readinto, readinto);
    SET_FIELD(u->read, read);
    SET_FIELD(u->readline, readline);
    return 0;
error:
    Py_XDECREF(peek);
    Py_XDECREF(readinto);
    Py_XDECREF(read);
    Py_XDECREF(readline);
    return -1;
}

Py_ssize_t input_set_buffer(Unpickler *u, PyObject *data)
{
    Py_buffer fresh, old = u->buffer;
    if (PyObject_GetBuffer(data, &fresh, PyBUF_CONTIG_RO) < 0) return -1;
    u->buffer = fresh;
    u->input = fresh.buf;
    u->length = u->prefetched = fresh.len;
    u->next = 0;
    PyBuffer_Release(&old);
    return fresh.len;
}

static PyObject *call_with_size(PyObject *function, Py_ssize_t n)
{
    PyObject *size = PyLong_FromSsize_t(n), *result;
    if (!size) return NULL;
    Py_INCREF(function);
    result = PyObject_CallOneArg(function, size);
    Py_DECREF(function);
    Py_DECREF(size);
    return result;
}

int input_skip_consumed(Unpickler *u)
{
    Py_ssize_t n = u->next - u->prefetched;
    if (n <= 0) return 0;
    PyObject *skipped = call_with_size(u->read, n);
    if (!skipped) return -1;
    Py_DECREF(skipped);
    u->prefetched = u->next;
    return 0;
}

static Py_ssize_t take_buffer(Unpickler *u, PyObject *data)
{
    if (!data) return -1;
    Py_ssize_t n = input_set_buffer(u, data);
    Py_DECREF(data);
    return n;
}

/* Refills the buffer, n bytes or more if there are that many; its length, or -1. */
static Py_ssize_t refill(Unpickler *u, Py_ssize_t n)
{
    if (input_skip_consumed(u) < 0) return -1;
    if (u->peek && n < PREFETCH) {
        PyObject *data = call_with_size(u->peek, PREFETCH);
        if (!data) {
            if (!PyErr_ExceptionMatches(PyExc_NotImplementedError)) return -1;
            PyErr_Clear();                    /* the file has the method, but what it wraps has not */
            Py_CLEAR(u->peek);
        }
        else {
            Py_ssize_t got = take_buffer(u, data);
            u->prefetched = 0;
            if (got < 0 || got >= n) return got;
        }
    }
    return take_buffer(u, call_with_size(u->read, n));
}

/* Much data: as a bytes object that grows with what the file gives. */
static const char *read_large(Unpickler *u, Py_ssize_t n)
{
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, CHUNK);
    for (Py_ssize_t have = 0; bytes; ) {
        Py_ssize_t room = PyBytes_GET_SIZE(bytes);
        if (input_read_into(u, PyBytes_AS_STRING(bytes) + have, room - have) < 0) {
            Py_DECREF(bytes);
            return NULL;
        }
        have = room;
        if (have == n) break;
        _PyBytes_Resize(&bytes, have > n / 2 ? n : have * 2);
    }
    if (!bytes || take_buffer(u, bytes) < 0) return NULL;
    u->next = u->prefetched = n;
    return u->input;
}

NOINLINE const char *input_read_slow(Unpickler *u, Py_ssize_t n)
{
    if (u->next > PY_SSIZE_T_MAX - n) {
        PyErr_SetString(u->stack->state->unpickling_error, "read would overflow (invalid bytecode)");
        return NULL;
    }
    if (!u->read) {
        input_truncated(u);
        return NULL;
    }
    if (n > CHUNK) return read_large(u, n);
    /* bytes left of the buffer count too: what was not prefetched is gone from the file */
    if (u->next < u->length && u->prefetched == u->length) {
        char *joined = PyMem_Malloc((size_t)n);
        if (!joined) {
            PyErr_NoMemory();
            return NULL;
        }
        PyObject *bytes = input_read_into(u, joined, n) < 0 ? NULL : PyBytes_FromStringAndSize(joined, n);
        PyMem_Free(joined);
        if (!bytes || take_buffer(u, bytes) < 0) return NULL;
        u->next = u->prefetched = n;
        return u->input;
    }
    Py_ssize_t got = refill(u, n);
    if (got < 0) return NULL;
    if (got < n) {
        input_truncated(u);
        return NULL;
    }
    u->next = n;
    return u->input;
}

int input_read_into(Unpickler *u, char *to, Py_ssize_t n)
{
    Py_ssize_t left = u->length - u->next;
    if (left > 0) {
        if (left > n) left = n;
        memcpy(to, u->input + u->next, (size_t)left);
        u->next += left;
        to += left;
        n -= left;
        if (n == 0) return 0;
    }
    if (!u->read) return input_truncated(u);
    if (input_skip_consumed(u) < 0) return -1;
    if (!u->readinto) {
        PyObject *data = call_with_size(u->read, n);
        if (!data) return -1;
        int status = -1;
        if (!PyBytes_Check(data)) PyErr_Format(PyExc_ValueError, "read() returned non-bytes object (%R)", Py_TYPE(data));
        else if (PyBytes_GET_SIZE(data) < n) input_truncated(u);
        else {
            memcpy(to, PyBytes_AS_STRING(data), (size_t)n);
            status = 0;
        }
        Py_DECREF(data);
        return status;
    }
    PyObject *view = PyMemoryView_FromMemory(to, n, PyBUF_WRITE);
    if (!view) return -1;
    PyObject *readinto = Py_NewRef(u->readinto), *count = PyObject_CallOneArg(readinto, view);
    Py_DECREF(readinto);
    /* readinto() may have kept the view: it must not outlive the memory */
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    PyObject *released = PyObject_CallMethod(view, "release", NULL);
    if (released) PyErr_Restore(type, value, traceback);
    else {
        Py_XDECREF(type);
        Py_XDECREF(value);
        Py_XDECREF(traceback);
        Py_CLEAR(count);
    }
    Py_XDECREF(released);
    Py_DECREF(view);
    if (!count) return -1;
    Py_ssize_t got = PyLong_AsSsize_t(count);
    Py_DECREF(count);
    if (got == -1 && PyErr_Occurred()) return -1;
    return got < n ? input_truncated(u) : 0;
}

/* A copy, which conversions may write into and which stays when the buffer goes. */
static char *copy_line(Unpickler *u, const char *from, Py_ssize_t n)
{
    char *line = PyMem_Realloc(u->line, (size_t)n + 1);
    if (!line) {
        PyErr_NoMemory();
        return NULL;
    }
    memcpy(line, from, (size_t)n);
    line[n] = 0;
    u->line = line;
    return line;
}

char *input_line(Unpickler *u, Py_ssize_t *length)
{
    const char *from = u->input + u->next, *end = u->next < u->length ? memchr(from, '\n', (size_t)(u->length - u->next)) : NULL;
    if (end) {
        *length = end + 1 - from;
        u->next += *length;
        return copy_line(u, from, *length);
    }
    if (!u->read) goto truncated;
    if (input_skip_consumed(u) < 0) return NULL;
    if (u->next < u->length && u->prefetched == u->length) goto truncated;
    PyObject *readline = Py_NewRef(u->readline);
    Py_ssize_t n = take_buffer(u, PyObject_CallNoArgs(readline));
    Py_DECREF(readline);
    if (n < 0) return NULL;
    if (n == 0 || u->input[n - 1] != '\n') goto truncated;
    u->next = *length = n;
    return copy_line(u, u->input, n);
truncated:
    input_truncated(u);
    return NULL;
}

/* Bytes known to be there. */
Py_ssize_t input_available(const Unpickler *u) { return u->length - u->next; }
