/* What a pickler writes, cut into frames, and its memo.
 *
 * A frame is opened by the first byte written to it: nine bytes are left free for its header. It is closed at the first
 * boundary between instructions after 64 KiB, and before data so long that it is passed on without a copy. */
#include "pickle_private.h"

/* ---- memo ------------------------------------------------------------------------------------------------------------ */

int memo_init(Memo *m)
{
    *m = (Memo){ .table = PyMem_Calloc(8, sizeof(MemoEntry)), .allocated = 8, .owned = true };
    if (m->table) return 0;
    PyErr_NoMemory();
    return -1;
}

void memo_clear(Memo *m)
{
    Py_ssize_t left = m->used;
    MemoEntry *table = m->table;
    Py_ssize_t allocated = m->allocated;
    if (left && m->owned) {                   /* destructors may use the memo */
        m->table = PyMem_Calloc(8, sizeof(MemoEntry));
        if (m->table) {
            m->allocated = 8;
            m->used = m->next = 0;
            for (Py_ssize_t i = 0; left; i++)
                if (table[i].key) {
                    left--;
                    Py_DECREF(table[i].key);
                }
            PyMem_Free(table);
            return;
        }
        m->table = table;
    }
    m->used = m->next = 0;
    for (Py_ssize_t i = 0; i < allocated && left; i++)
        if (table[i].key) {
            left--;
            Py_CLEAR(table[i].key);
        }
}

void memo_fini(Memo *m)
{
    MemoEntry *table = m->table;
    Py_ssize_t left = m->used;
    m->table = NULL;
    m->used = m->allocated = 0;
    for (Py_ssize_t i = 0; left; i++)
        if (table[i].key) {
            left--;
            Py_DECREF(table[i].key);
        }
    if (m->owned) PyMem_Free(table);
}

NOINLINE int memo_grow(Memo *m)
{
    Py_ssize_t wanted = m->used > 50000 ? m->used * 2 : m->used * 4, size = 8;
    while (size < wanted) size *= 2;
    MemoEntry *table = PyMem_Calloc((size_t)size, sizeof *table);
    if (!table) {
        /* the table is not full yet: the next call tries again, until one place is left */
        if (m->used + 1 < m->allocated) return 0;
        PyErr_NoMemory();
        return -1;
    }
    Memo bigger = { .table = table, .allocated = size };
    for (Py_ssize_t i = 0, left = m->used; left; i++)
        if (m->table[i].key) {
            *memo_find(&bigger, m->table[i].key) = m->table[i];
            left--;
        }
    if (m->owned) PyMem_Free(m->table);
    m->table = table;
    m->allocated = size;
    m->owned = true;
    return 0;
}

/* ---- output ---------------------------------------------------------------------------------------------------------- */

int output_start(Pickler *p)
{
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, OUTPUT_INITIAL);
    if (!bytes) return -1;
    SET_FIELD(p->output, bytes);
    p->used = 0;
    p->frame_start = -1;
    return 0;
}

NOINLINE char *output_reserve_slow(Pickler *p, Py_ssize_t n)
{
    bool opens = p->framing && p->frame_start < 0;
    if (n > PY_SSIZE_T_MAX / 2 || p->used > PY_SSIZE_T_MAX / 4) {
        PyErr_NoMemory();
        return NULL;
    }
    if (!p->output) {                         /* a method called from here finished another dump of this pickler */
        PyErr_SetString(PyExc_RuntimeError, "Pickler object is already in use");
        return NULL;
    }
    Py_ssize_t needed = p->used + n + (opens ? FRAME_HEADER : 0);
    if (needed > PyBytes_GET_SIZE(p->output)) {
        Py_ssize_t room = needed + needed / 2;
        if (_PyBytes_Resize(&p->output, room) < 0) {
            p->used = 0;
            return NULL;
        }
    }
    char *at = PyBytes_AS_STRING(p->output) + p->used;
    if (opens) {
        memset(at, 0, FRAME_HEADER);
        p->frame_start = p->used;
        at += FRAME_HEADER;
    }
    p->used = needed;
    return at;
}

int output_close_frame(Pickler *p)
{
    if (!p->framing || p->frame_start < 0 || !p->output) return 0;
    char *frame = PyBytes_AS_STRING(p->output) + p->frame_start;
    Py_ssize_t n = p->used - p->frame_start - FRAME_HEADER;
    if (n >= FRAME_SIZE_MIN) {
        frame[0] = (char)OP_FRAME;
        put_le64(frame + 1, (uint64_t)n);
    }
    else {                                    /* too short to be worth a header */
        memmove(frame, frame + FRAME_HEADER, (size_t)n);
        p->used -= FRAME_HEADER;
    }
    p->frame_start = -1;
    return 0;
}

NOINLINE int output_boundary_slow(Pickler *p)
{
    if (output_close_frame(p) < 0) return -1;
    return p->write ? output_flush(p) : 0;
}

PyObject *output_take(Pickler *p)
{
    if (output_close_frame(p) < 0 || !p->output) return NULL;
    PyObject *result = p->output;
    if (p->used < OUTPUT_INITIAL) {           /* a copy that fits is better than a block mostly empty */
        p->output = NULL;
        PyObject *copy = PyBytes_FromStringAndSize(PyBytes_AS_STRING(result), p->used);
        Py_DECREF(result);
        return copy;
    }
    p->output = NULL;
    _PyBytes_Resize(&result, p->used);
    return result;
}

static int write_object(Pickler *p, PyObject *data)
{
    PyObject *write = Py_NewRef(p->write), *result = PyObject_CallOneArg(write, data);
    Py_DECREF(write);
    Py_XDECREF(result);
    return result ? 0 : -1;
}

int output_flush(Pickler *p)
{
    PyObject *data = PyBytes_FromStringAndSize(p->output ? PyBytes_AS_STRING(p->output) : NULL, p->output ? p->used : 0);
    if (!data) return -1;
    p->used = 0;
    p->frame_start = -1;
    int status = write_object(p, data);
    Py_DECREF(data);
    return status;
}

int output_bytes(Pickler *p, const char *header, Py_ssize_t n, const char *data, Py_ssize_t size, PyObject *payload)
{
    bool bypass = size >= FRAME_SIZE_TARGET;
    int framing = p->framing;
    if (bypass) {
        if (output_close_frame(p) < 0) return -1;
        p->framing = 0;
    }
    int status = output_write(p, header, n);
    if (status == 0 && bypass && p->write) {
        PyObject *object = payload ? Py_NewRef(payload) : PyBytes_FromStringAndSize(data, size);
        if (!object || output_flush(p) < 0 || write_object(p, object) < 0) status = -1;
        Py_XDECREF(object);
    }
    else if (status == 0) status = output_write(p, data, size);
    p->framing = framing;
    return status;
}
