/* Blob: a BLOB of one row, read and written in place.
 *
 * Its size never changes. It closes with its connection. Another thread may close it while a call is under way: the
 * library's handle then lives until that call is over. */
#include "sqlite.h"

#include <stdio.h>

/* ---- open and closed ----------------------------------------------------------------------------------------------------- */

static void blob_unlink(Blob *b)
{
    if (!b->link) return;
    *b->link = b->next;
    if (b->next) b->next->link = b->link;
    b->link = NULL;
}

static void blob_shut(Blob *b)
{
    blob_unlink(b);
    if (!b->blob) return;
    if (b->busy) {
        b->close_later = true;
        return;
    }
    sqlite3_blob *blob = b->blob;
    b->blob = NULL;
    UNLOCKED(sqlite3_blob_close(blob));
}

void blob_close_all(Connection *cx)
{
    while (cx->blobs) blob_shut(cx->blobs);
}

static bool blob_check(Blob *b)
{
    if (!connection_check(b->connection)) return false;
    if (b->blob && !b->close_later) return true;
    sqlite_raise(b->connection->state, PROGRAMMING_ERROR, "Cannot operate on a closed blob.");
    return false;
}

PyObject *blob_open(Connection *cx, const char *table, const char *column, sqlite3_int64 row, bool readonly, const char *name)
{
    Database *database = database_hold(cx->database);
    sqlite3_blob *blob = NULL;
    Blob *b = NULL;
    int rc;
    UNLOCKED(rc = sqlite3_blob_open(database->db, name, table, column, row, !readonly, &blob));
    if (rc == SQLITE_MISUSE) PyErr_SetString(cx->state->exceptions[INTERFACE_ERROR], sqlite3_errstr(rc));
    else if (rc != SQLITE_OK) sqlite_raise_after_callbacks(cx->state, database->db);
    else if (cx->database != database) sqlite_raise(cx->state, PROGRAMMING_ERROR, "Cannot operate on a closed database.");
    else if ((b = PyObject_GC_New(Blob, cx->state->blob))) {
        b->connection = (Connection *)Py_NewRef(cx);
        b->blob = blob;
        blob = NULL;
        b->offset = 0;
        b->busy = 0;
        b->close_later = false;
        b->weakrefs = NULL;
        b->next = cx->blobs;
        b->link = &cx->blobs;
        if (b->next) b->next->link = &b->next;
        cx->blobs = b;
        PyObject_GC_Track(b);
    }
    if (blob) UNLOCKED(sqlite3_blob_close(blob));
    database_drop(database);
    return (PyObject *)b;
}

static int blob_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(BLOB(self)->connection);
    return 0;
}

static int blob_clear(PyObject *self)
{
    blob_unlink(BLOB(self));                  /* the list is the connection's */
    Py_CLEAR(BLOB(self)->connection);
    return 0;
}

static void blob_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    if (BLOB(self)->weakrefs) PyObject_ClearWeakRefs(self);
    blob_shut(BLOB(self));
    blob_clear(self);
    PyObject_GC_Del(self);
    Py_DECREF(type);
}

BUILTIN_NOARGS(blob, close, "($self, /)", "Close the blob.")
{
    if (!connection_check(BLOB(self)->connection)) return NULL;
    blob_shut(BLOB(self));
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(blob, __enter__, "($self, /)", "Return the blob.")
{
    return blob_check(BLOB(self)) ? Py_NewRef(self) : NULL;
}

BUILTIN(blob, __exit__, POSITIONAL, "($self, type, val, tb, /)", "Close the blob.")
{
    if (!blob_check(BLOB(self))) return NULL;
    blob_shut(BLOB(self));
    Py_RETURN_FALSE;
}

/* ---- reading and writing ------------------------------------------------------------------------------------------------- */

/* What a call without the GIL is put between. */
static Database *blob_enter(Blob *b)
{
    b->busy++;
    return database_hold(b->connection->database);
}

static int blob_leave(Blob *b, Database *database, int rc)
{
    if (rc != SQLITE_OK) sqlite_raise_library(b->connection->state, database->db);
    if (--b->busy == 0 && b->close_later) {
        b->close_later = false;
        blob_shut(b);
    }
    database_drop(database);
    return rc == SQLITE_OK ? 0 : -1;
}

static PyObject *read_bytes(Blob *b, int n, int offset)
{
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, n);
    if (!bytes || !blob_check(b)) {
        Py_XDECREF(bytes);
        return NULL;
    }
    int rc;
    Database *database = blob_enter(b);
    UNLOCKED(rc = sqlite3_blob_read(b->blob, PyBytes_AS_STRING(bytes), n, offset));
    if (blob_leave(b, database, rc) < 0) Py_CLEAR(bytes);
    return bytes;
}

static int write_bytes(Blob *b, const void *data, Py_ssize_t n, int offset)
{
    if (n > sqlite3_blob_bytes(b->blob) - offset) {
        PyErr_SetString(PyExc_ValueError, "data longer than blob length");
        return -1;
    }
    int rc;
    Database *database = blob_enter(b);
    UNLOCKED(rc = sqlite3_blob_write(b->blob, data, (int)n, offset));
    return blob_leave(b, database, rc);
}

BUILTIN(blob, read, POSITIONAL, "($self, length=-1, /)", "Read at most length bytes; a negative number: all to the end.")
{
    Blob *b = BLOB(self);
    int length = -1;
    if (arg[0] && (length = PyLong_AsInt(arg[0])) == -1 && PyErr_Occurred()) return NULL;
    if (!blob_check(b)) return NULL;
    int rest = sqlite3_blob_bytes(b->blob) - b->offset;
    if (rest < 0) return read_bytes(b, 0, 0); /* the row was changed: the library says so */
    if (length < 0 || length > rest) length = rest;
    if (length == 0) return PyBytes_FromStringAndSize(NULL, 0);
    PyObject *bytes = read_bytes(b, length, b->offset);
    if (bytes) b->offset += length;
    return bytes;
}

BUILTIN_O(blob, write, "($self, data, /)", "Write at the current place. The blob does not grow.")
{
    Blob *b = BLOB(self);
    Py_buffer view;
    if (PyObject_GetBuffer(arg, &view, PyBUF_SIMPLE) < 0) return NULL;
    int r = blob_check(b) ? write_bytes(b, view.buf, view.len, b->offset) : -1;
    if (r == 0) b->offset += (int)view.len;
    PyBuffer_Release(&view);
    if (r < 0) return NULL;
    Py_RETURN_NONE;
}

BUILTIN(blob, seek, POSITIONAL, "($self, offset, origin=0, /)",
        "Go to a place, counted from the beginning (origin os.SEEK_SET), from here (os.SEEK_CUR) or from the end (os.SEEK_END).")
{
    Blob *b = BLOB(self);
    int offset = PyLong_AsInt(arg[0]), origin = SEEK_SET;
    if (offset == -1 && PyErr_Occurred()) return NULL;
    if (arg[1] && (origin = PyLong_AsInt(arg[1])) == -1 && PyErr_Occurred()) return NULL;
    if (!blob_check(b)) return NULL;
    int size = sqlite3_blob_bytes(b->blob), base;
    switch (origin) {
    case SEEK_SET: base = 0; break;
    case SEEK_CUR: base = b->offset; break;
    case SEEK_END: base = size; break;
    default:
        PyErr_SetString(PyExc_ValueError, "'origin' should be os.SEEK_SET, os.SEEK_CUR, or os.SEEK_END");
        return NULL;
    }
    if (__builtin_add_overflow(offset, base, &offset)) {
        PyErr_SetString(PyExc_OverflowError, "seek offset results in overflow");
        return NULL;
    }
    if (offset < 0 || offset > size) {
        PyErr_SetString(PyExc_ValueError, "offset out of blob range");
        return NULL;
    }
    b->offset = offset;
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(blob, tell, "($self, /)", "The current place.")
{
    return blob_check(BLOB(self)) ? PyLong_FromLong(BLOB(self)->offset) : NULL;
}

/* ---- items and slices ---------------------------------------------------------------------------------------------------- */

static Py_ssize_t blob_length(PyObject *self) { return blob_check(BLOB(self)) ? sqlite3_blob_bytes(BLOB(self)->blob) : -1; }

/* -1 with IndexError. */
static int index_of(Blob *b, PyObject *key)
{
    Py_ssize_t at = PyNumber_AsSsize_t(key, PyExc_IndexError), n;
    if (at == -1 && PyErr_Occurred()) return -1;
    if (!blob_check(b)) return -1;            /* __index__ may have closed it */
    n = sqlite3_blob_bytes(b->blob);
    if (at < 0) at += n;
    if (at >= 0 && at < n) return (int)at;
    PyErr_SetString(PyExc_IndexError, "Blob index out of range");
    return -1;
}

static PyObject *get_item(Blob *b, PyObject *key)
{
    int at = index_of(b, key);
    unsigned char byte;
    int rc;
    if (at < 0) return NULL;
    Database *database = blob_enter(b);
    UNLOCKED(rc = sqlite3_blob_read(b->blob, &byte, 1, at));
    return blob_leave(b, database, rc) < 0 ? NULL : PyLong_FromLong(byte);
}

typedef struct Range { Py_ssize_t start, step, count; int from, span; } Range;     /* span: bytes from the lowest to the highest */

static int range_of(Blob *b, PyObject *slice, Range *r)
{
    Py_ssize_t stop;
    if (PySlice_Unpack(slice, &r->start, &stop, &r->step) < 0 || !blob_check(b)) return -1;
    r->count = PySlice_AdjustIndices(sqlite3_blob_bytes(b->blob), &r->start, &stop, r->step);
    if (r->count <= 0) return 0;
    Py_ssize_t last = r->start + (r->count - 1) * r->step;
    r->from = (int)(r->start < last ? r->start : last);
    r->span = (int)((r->start < last ? last : r->start) - r->from) + 1;
    return 0;
}

static PyObject *get_slice(Blob *b, PyObject *slice)
{
    Range r;
    if (range_of(b, slice, &r) < 0) return NULL;
    if (r.count <= 0) return read_bytes(b, 0, 0);       /* which tells when the row was changed */
    PyObject *all = read_bytes(b, r.span, r.from);
    if (!all || r.step == 1) return all;
    PyObject *picked = PyBytes_FromStringAndSize(NULL, r.count);
    for (Py_ssize_t i = 0; picked && i < r.count; i++)
        PyBytes_AS_STRING(picked)[i] = PyBytes_AS_STRING(all)[r.start - r.from + i * r.step];
    Py_DECREF(all);
    return picked;
}

static PyObject *blob_subscript(PyObject *self, PyObject *key)
{
    if (!blob_check(BLOB(self))) return NULL;
    if (PyIndex_Check(key)) return get_item(BLOB(self), key);
    if (PySlice_Check(key)) return get_slice(BLOB(self), key);
    PyErr_SetString(PyExc_TypeError, "Blob indices must be integers");
    return NULL;
}

static int set_item(Blob *b, PyObject *key, PyObject *value)
{
    if (!value) {
        PyErr_SetString(PyExc_TypeError, "Blob doesn't support item deletion");
        return -1;
    }
    if (!PyLong_Check(value)) {
        PyErr_Format(PyExc_TypeError, "'%s' object cannot be interpreted as an integer", Py_TYPE(value)->tp_name);
        return -1;
    }
    int at = index_of(b, key);
    if (at < 0) return -1;
    int overflow;
    long number = PyLong_AsLongAndOverflow(value, &overflow);
    if (overflow || number < 0 || number > 255) {
        PyErr_SetString(PyExc_ValueError, "byte must be in range(0, 256)");
        return -1;
    }
    unsigned char byte = (unsigned char)number;
    return write_bytes(b, &byte, 1, at);
}

static int set_slice(Blob *b, PyObject *slice, PyObject *value)
{
    Range r;
    Py_buffer view;
    if (!value) {
        PyErr_SetString(PyExc_TypeError, "Blob doesn't support slice deletion");
        return -1;
    }
    if (range_of(b, slice, &r) < 0) return -1;
    if (r.count <= 0) return 0;
    if (PyObject_GetBuffer(value, &view, PyBUF_SIMPLE) < 0) return -1;
    int done = -1;
    if (!blob_check(b)) goto release;
    if (view.len != r.count) PyErr_SetString(PyExc_IndexError, "Blob slice assignment is wrong size");
    else if (r.step == 1) done = write_bytes(b, view.buf, view.len, r.from);
    else {
        PyObject *all = read_bytes(b, r.span, r.from);
        if (!all) goto release;
        for (Py_ssize_t i = 0; i < r.count; i++)
            PyBytes_AS_STRING(all)[r.start - r.from + i * r.step] = ((const char *)view.buf)[i];
        done = blob_check(b) ? write_bytes(b, PyBytes_AS_STRING(all), r.span, r.from) : -1;
        Py_DECREF(all);
    }
release:
    PyBuffer_Release(&view);
    return done;
}

static int blob_assign(PyObject *self, PyObject *key, PyObject *value)
{
    if (!blob_check(BLOB(self))) return -1;
    if (PyIndex_Check(key)) return set_item(BLOB(self), key, value);
    if (PySlice_Check(key)) return set_slice(BLOB(self), key, value);
    PyErr_SetString(PyExc_TypeError, "Blob indices must be integers");
    return -1;
}

/* ---- the type ------------------------------------------------------------------------------------------------------------ */

static PyMethodDef blob_methods[] = {
    METHOD(blob, close), METHOD(blob, __enter__), METHOD(blob, __exit__), METHOD(blob, read), METHOD(blob, seek),
    METHOD(blob, tell), METHOD(blob, write), { 0 }
};
static PyMemberDef blob_members[] = { { "__weaklistoffset__", Py_T_PYSSIZET, offsetof(Blob, weakrefs), Py_READONLY, NULL }, { 0 } };

static PyType_Slot blob_slots[] = {
    { Py_tp_dealloc, blob_dealloc }, { Py_tp_traverse, blob_traverse }, { Py_tp_clear, blob_clear }, { Py_tp_methods, blob_methods },
    { Py_tp_members, blob_members }, { Py_mp_length, blob_length }, { Py_mp_subscript, blob_subscript }, { Py_mp_ass_subscript, blob_assign }, { 0, NULL }
};
static PyType_Spec blob_spec = {
    "sqlite3.Blob", sizeof(Blob), 0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION, blob_slots
};

int blob_add_type(PyObject *module, Sqlite *state) { return (state->blob = sqlite_add_type(module, &blob_spec, true)) ? 0 : -1; }
