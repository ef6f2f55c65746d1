/* The mmap module: files and anonymous memory mapped as mutable byte arrays.
 *
 * data is NULL once the map is closed, and every method looks at that first, again after anything that can run other code.
 * While buffers are exported the map can be neither closed nor resized. */
#include "capi/args.h"
#include "modules/support.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

typedef enum Access { ACCESS_DEFAULT, ACCESS_READ, ACCESS_WRITE, ACCESS_COPY } Access;

typedef struct Map {
    PyObject_HEAD
    char *data;
    Py_ssize_t size, position;
    int64_t offset;
    Py_ssize_t exports;
    int fd;                              /* our own copy, or -1 */
    bool track_fd;
    PyObject *weakrefs;
    Access access;
} Map;

#define MAP(o) ((Map *)(o))

static COLD int is_closed(void)
{
    PyErr_SetString(PyExc_ValueError, "mmap closed or invalid");
    return -1;
}

static inline int check_open(Map *m) { return LIKELY(m->data != NULL) ? 0 : is_closed(); }

static int check_writable(Map *m)
{
    if (m->access != ACCESS_READ) return 0;
    PyErr_SetString(PyExc_TypeError, "mmap can't modify a readonly memory map.");
    return -1;
}

static COLD PyObject *value_error(const char *text)
{
    PyErr_SetString(PyExc_ValueError, text);
    return NULL;
}

static PyObject *os_error(void) { return PyErr_SetFromErrno(PyExc_OSError); }

/* ---- making, closing -------------------------------------------------------------------------------------------------------------- */

static void map_unmap(Map *m)
{
    int fd = m->fd;
    char *data = m->data;
    Py_ssize_t size = m->size;
    m->fd = -1;
    m->data = NULL;
    Py_BEGIN_ALLOW_THREADS
    if (fd >= 0) close(fd);
    if (data) munmap(data, (size_t)size);
    Py_END_ALLOW_THREADS
}

static void map_dealloc(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    map_unmap(MAP(self));
    if (MAP(self)->weakrefs) PyObject_ClearWeakRefs(self);
    free_instance(self);
}

static int map_traverse(PyObject *self, visitproc visit, void *arg)
{
    VISIT_TYPE(self);
    return 0;
}

/* flags and prot that an access stands for, or the access that they amount to. */
static int settle_access(int *access, int *flags, int *prot)
{
    enum { BOTH = PROT_READ | PROT_WRITE };
    if (*access != ACCESS_DEFAULT && (*flags != MAP_SHARED || *prot != BOTH)) {
        value_error("mmap can't specify both access and flags, prot.");
        return -1;
    }
    switch (*access) {
    case ACCESS_READ: *flags = MAP_SHARED, *prot = PROT_READ; return 0;
    case ACCESS_WRITE: *flags = MAP_SHARED, *prot = BOTH; return 0;
    case ACCESS_COPY: *flags = MAP_PRIVATE, *prot = BOTH; return 0;
    case ACCESS_DEFAULT:
        if ((*prot & BOTH) != BOTH) *access = *prot & PROT_WRITE ? ACCESS_WRITE : ACCESS_READ;
        return 0;
    default: value_error("mmap invalid access parameter."); return -1;
    }
}

/* A length of 0 stands for the rest of the file. */
static int settle_size(int fd, int64_t offset, Py_ssize_t *size)
{
    struct stat status;
    int failed;
    if (fd == -1) return 0;
    Py_BEGIN_ALLOW_THREADS
    failed = fstat(fd, &status);
    Py_END_ALLOW_THREADS
    if (failed || !S_ISREG(status.st_mode)) return 0;
    if (*size == 0) {
        if (status.st_size == 0) value_error("cannot mmap an empty file");
        else if (offset >= status.st_size) value_error("mmap offset is greater than file size");
        else {
            *size = status.st_size - offset;
            return 0;
        }
        return -1;
    }
    if (offset <= status.st_size && status.st_size - offset >= *size) return 0;
    value_error("mmap length is greater than file size");
    return -1;
}

static PyObject *map_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = { "fileno", "length", "flags", "prot", "access", "offset", "trackfd", NULL };
    int fd, flags = MAP_SHARED, prot = PROT_READ | PROT_WRITE, access = ACCESS_DEFAULT, track_fd = 1;
    Py_ssize_t size;
    long offset = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "in|iiil$p", keywords, &fd, &size, &flags, &prot, &access, &offset, &track_fd)) return NULL;
    if (size < 0) return PyErr_Format(PyExc_OverflowError, "memory mapped length must be positive");
    if (offset < 0) return PyErr_Format(PyExc_OverflowError, "memory mapped offset must be positive");
    if (settle_access(&access, &flags, &prot) < 0) return NULL;
    if (PySys_Audit("mmap.__new__", "iniL", fd, size, access, (long long)offset) < 0) return NULL;
    if (settle_size(fd, offset, &size) < 0) return NULL;
    Map *m = (Map *)type->tp_alloc(type, 0);
    if (!m) return NULL;
    m->data = NULL;
    m->size = size;
    m->position = 0;
    m->offset = offset;
    m->exports = 0;
    m->weakrefs = NULL;
    m->access = (Access)access;
    m->track_fd = track_fd;
    m->fd = -1;
    if (fd == -1) flags |= MAP_ANONYMOUS;
    else if (track_fd && (m->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0)) < 0) goto failed;
    void *data;
    Py_BEGIN_ALLOW_THREADS
    data = mmap(NULL, (size_t)size, prot, flags, fd, offset);
    Py_END_ALLOW_THREADS
    if (data == MAP_FAILED) goto failed;
    m->data = data;
    return (PyObject *)m;
failed:
    os_error();
    Py_DECREF(m);
    return NULL;
}

BUILTIN_NOARGS(map, close, "($self, /)", "")
{
    if (MAP(self)->exports > 0) return PyErr_Format(PyExc_BufferError, "cannot close exported pointers exist");
    map_unmap(MAP(self));
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(map, __enter__, "($self, /)", "") { return check_open(MAP(self)) < 0 ? NULL : Py_NewRef(self); }

static PyObject *map___exit__(PyObject *self, PyObject *args) { return PyObject_CallMethod(self, "close", NULL); }

static PyObject *map_closed(PyObject *self, void *unused) { return PyBool_FromLong(!MAP(self)->data); }

static PyObject *map_repr(PyObject *self)
{
    static const char *const names[] = { "ACCESS_DEFAULT", "ACCESS_READ", "ACCESS_WRITE", "ACCESS_COPY" };
    Map *m = MAP(self);
    const char *type = Py_TYPE(self)->tp_name;
    if (!m->data) return PyUnicode_FromFormat("<%s closed=True>", type);
    return PyUnicode_FromFormat("<%s closed=False, access=%s, length=%zd, pos=%zd, offset=%lld>", type, names[m->access], m->size, m->position,
                                (long long)m->offset);
}

/* ---- as a file ---------------------------------------------------------------------------------------------------------------------- */

static Py_ssize_t left(Map *m) { return m->position < m->size ? m->size - m->position : 0; }

static PyObject *take(Map *m, Py_ssize_t n)
{
    PyObject *result = PyBytes_FromStringAndSize(m->data + m->position, n);
    if (result) m->position += n;
    return result;
}

BUILTIN_NOARGS(map, read_byte, "($self, /)", "")
{
    Map *m = MAP(self);
    if (check_open(m) < 0) return NULL;
    if (m->position >= m->size) return value_error("read byte out of range");
    return PyLong_FromLong((unsigned char)m->data[m->position++]);
}

BUILTIN_NOARGS(map, readline, "($self, /)", "")
{
    Map *m = MAP(self);
    if (check_open(m) < 0) return NULL;
    Py_ssize_t n = left(m);
    if (!n) return PyBytes_FromStringAndSize("", 0);
    char *start = m->data + m->position, *end = memchr(start, '\n', (size_t)n);
    return take(m, end ? end + 1 - start : n);
}

static PyObject *map_read(PyObject *self, PyObject *args)
{
    Map *m = MAP(self);
    Py_ssize_t n = PY_SSIZE_T_MAX;
    PyObject *count = Py_None;
    if (check_open(m) < 0 || !PyArg_ParseTuple(args, "|O:read", &count)) return NULL;
    if (count != Py_None) {
        if (!PyIndex_Check(count))
            return PyErr_Format(PyExc_TypeError, "argument should be integer or None, not '%.200s'", Py_TYPE(count)->tp_name);
        n = PyNumber_AsSsize_t(count, PyExc_OverflowError);
        if (n == -1 && PyErr_Occurred()) return NULL;
        if (check_open(m) < 0) return NULL;
    }
    return take(m, n < 0 || n > left(m) ? left(m) : n);
}

static PyObject *search(PyObject *self, PyObject *args, bool backwards)
{
    Map *m = MAP(self);
    Py_ssize_t start = backwards ? 0 : m->position, end = m->size;
    Py_buffer view;
    if (check_open(m) < 0 || !PyArg_ParseTuple(args, backwards ? "y*|nn:rfind" : "y*|nn:find", &view, &start, &end)) return NULL;
    if (check_open(m) < 0) {
        PyBuffer_Release(&view);
        return NULL;
    }
    Py_ssize_t found = -1;
    PySlice_AdjustIndices(m->size, &start, &end, 1);
    Py_ssize_t span = end - start;
    const char *base = m->data + start;
    if (span >= view.len && span >= 0) {
        if (!backwards) {
            const char *p = view.len ? memmem(base, (size_t)span, view.buf, (size_t)view.len) : base;
            if (p) found = p - m->data;
        } else {
            for (const char *p = base + span - view.len; p >= base; p--)
                if (!view.len || (*p == *(char *)view.buf && !memcmp(p, view.buf, (size_t)view.len))) {
                    found = p - m->data;
                    break;
                }
        }
    }
    PyBuffer_Release(&view);
    return PyLong_FromSsize_t(found);
}

static PyObject *map_find(PyObject *self, PyObject *args) { return search(self, args, false); }
static PyObject *map_rfind(PyObject *self, PyObject *args) { return search(self, args, true); }

static PyObject *map_write(PyObject *self, PyObject *args)
{
    Map *m = MAP(self);
    Py_buffer view;
    PyObject *result = NULL;
    if (check_open(m) < 0 || !PyArg_ParseTuple(args, "y*:write", &view)) return NULL;
    if (check_writable(m) < 0) goto done;
    if (m->position > m->size || m->size - m->position < view.len) {
        value_error("data out of range");
        goto done;
    }
    if (check_open(m) < 0) goto done;
    memmove(m->data + m->position, view.buf, (size_t)view.len);
    m->position += view.len;
    result = PyLong_FromSsize_t(view.len);
done:
    PyBuffer_Release(&view);
    return result;
}

static PyObject *map_write_byte(PyObject *self, PyObject *args)
{
    Map *m = MAP(self);
    unsigned char value;
    if (check_open(m) < 0 || !PyArg_ParseTuple(args, "b:write_byte", &value) || check_writable(m) < 0 || check_open(m) < 0) return NULL;
    if (m->position >= m->size) return value_error("write byte out of range");
    m->data[m->position++] = (char)value;
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(map, tell, "($self, /)", "") { return check_open(MAP(self)) < 0 ? NULL : PyLong_FromSsize_t(MAP(self)->position); }
BUILTIN_NOARGS(map, seekable, "($self, /)", "") { Py_RETURN_TRUE; }

static PyObject *map_seek(PyObject *self, PyObject *args)
{
    Map *m = MAP(self);
    Py_ssize_t distance, base;
    int whence = 0;
    if (check_open(m) < 0 || !PyArg_ParseTuple(args, "n|i:seek", &distance, &whence) || check_open(m) < 0) return NULL;
    switch (whence) {
    case SEEK_SET: base = 0; break;
    case SEEK_CUR: base = m->position; break;
    case SEEK_END: base = m->size; break;
    default: return value_error("unknown seek type");
    }
    if (distance > m->size - base || distance < -base) return value_error("seek out of range");
    m->position = base + distance;
    return PyLong_FromSsize_t(m->position);
}

/* ---- the map ------------------------------------------------------------------------------------------------------------------------- */

BUILTIN_NOARGS(map, size, "($self, /)", "")
{
    Map *m = MAP(self);
    struct stat status;
    int failed;
    if (check_open(m) < 0) return NULL;
    Py_BEGIN_ALLOW_THREADS
    failed = fstat(m->fd, &status);
    Py_END_ALLOW_THREADS
    return failed ? os_error() : PyLong_FromLongLong(status.st_size);
}

static bool can_resize(Map *m)
{
    if (m->exports > 0) PyErr_SetString(PyExc_BufferError, "mmap can't resize with extant buffers exported.");
    else if (!m->track_fd) value_error("mmap can't resize with trackfd=False.");
    else if (m->access == ACCESS_WRITE || m->access == ACCESS_DEFAULT) return true;
    else PyErr_SetString(PyExc_TypeError, "mmap can't resize a readonly or copy-on-write memory map.");
    return false;
}

static PyObject *map_resize(PyObject *self, PyObject *args)
{
    Map *m = MAP(self);
    Py_ssize_t size;
    if (check_open(m) < 0 || !PyArg_ParseTuple(args, "n:resize", &size) || !can_resize(m) || check_open(m) < 0) return NULL;
    if (size < 0 || PY_SSIZE_T_MAX - size < m->offset) return value_error("new size out of range");
    if (m->fd != -1 && ftruncate(m->fd, m->offset + size) < 0) return os_error();
    void *data = mremap(m->data, (size_t)m->size, (size_t)size, MREMAP_MAYMOVE);
    if (data == MAP_FAILED) return os_error();
    m->data = data;
    m->size = size;
    Py_RETURN_NONE;
}

static PyObject *map_flush(PyObject *self, PyObject *args)
{
    Map *m = MAP(self);
    Py_ssize_t offset = 0, size = m->size;
    if (check_open(m) < 0 || !PyArg_ParseTuple(args, "|nn:flush", &offset, &size) || check_open(m) < 0) return NULL;
    if (offset < 0 || size < 0 || offset > m->size || m->size - offset < size) return value_error("flush values out of range");
    if (m->access == ACCESS_READ || m->access == ACCESS_COPY) Py_RETURN_NONE;
    int failed;
    Py_BEGIN_ALLOW_THREADS
    failed = msync(m->data + offset, (size_t)size, MS_SYNC);
    Py_END_ALLOW_THREADS
    if (failed) return os_error();
    Py_RETURN_NONE;
}

static PyObject *map_move(PyObject *self, PyObject *args)
{
    Map *m = MAP(self);
    Py_ssize_t to, from, count;
    if (check_open(m) < 0 || !PyArg_ParseTuple(args, "nnn:move", &to, &from, &count) || check_writable(m) < 0 || check_open(m) < 0) return NULL;
    if (to < 0 || from < 0 || count < 0 || m->size - to < count || m->size - from < count)
        return value_error("source, destination, or count out of range");
    memmove(m->data + to, m->data + from, (size_t)count);
    Py_RETURN_NONE;
}

static PyObject *map_madvise(PyObject *self, PyObject *args)
{
    Map *m = MAP(self);
    int option;
    Py_ssize_t start = 0, length = m->size;
    if (check_open(m) < 0 || !PyArg_ParseTuple(args, "i|nn:madvise", &option, &start, &length) || check_open(m) < 0) return NULL;
    if (start < 0 || start >= m->size) return value_error("madvise start out of bounds");
    if (length < 0) return value_error("madvise length invalid");
    if (PY_SSIZE_T_MAX - start < length) return PyErr_Format(PyExc_OverflowError, "madvise length too large");
    if (length > m->size - start) length = m->size - start;
    if (madvise(m->data + start, (size_t)length, option)) return os_error();
    Py_RETURN_NONE;
}

/* ---- as a sequence and buffer ---------------------------------------------------------------------------------------------------------- */

static Py_ssize_t map_length(PyObject *self) { return check_open(MAP(self)) < 0 ? -1 : MAP(self)->size; }

static int check_index(Map *m, Py_ssize_t i)
{
    if (i >= 0 && i < m->size) return 0;
    PyErr_SetString(PyExc_IndexError, "mmap index out of range");
    return -1;
}

static PyObject *map_item(PyObject *self, Py_ssize_t i)
{
    Map *m = MAP(self);
    return check_open(m) < 0 || check_index(m, i) < 0 ? NULL : PyBytes_FromStringAndSize(m->data + i, 1);
}

static PyObject *map_slice(Map *m, PyObject *slice)
{
    Py_ssize_t start, stop, step;
    if (PySlice_Unpack(slice, &start, &stop, &step) < 0 || check_open(m) < 0) return NULL;
    Py_ssize_t n = PySlice_AdjustIndices(m->size, &start, &stop, step);
    if (n <= 0) return PyBytes_FromStringAndSize("", 0);
    if (step == 1) return PyBytes_FromStringAndSize(m->data + start, n);
    PyObject *result = PyBytes_FromStringAndSize(NULL, n);
    if (!result) return NULL;
    char *to = PyBytes_AS_STRING(result);
    for (Py_ssize_t i = 0; i < n; i++) to[i] = m->data[start + i * step];
    return result;
}

/* -1 with an exception, like the index -1 itself: PyErr_Occurred() tells. */
static int index_argument(Map *m, PyObject *key, Py_ssize_t *i)
{
    *i = PyNumber_AsSsize_t(key, PyExc_IndexError);
    if (*i == -1 && PyErr_Occurred()) return -1;
    if (check_open(m) < 0) return -1;
    if (*i < 0) *i += m->size;
    return check_index(m, *i);
}

static PyObject *map_subscript(PyObject *self, PyObject *key)
{
    Map *m = MAP(self);
    Py_ssize_t i;
    if (check_open(m) < 0) return NULL;
    if (PyIndex_Check(key)) return index_argument(m, key, &i) < 0 ? NULL : PyLong_FromLong((unsigned char)m->data[i]);
    if (PySlice_Check(key)) return map_slice(m, key);
    return PyErr_Format(PyExc_TypeError, "mmap indices must be integers");
}

static int refuse(PyObject *type, const char *text)
{
    PyErr_SetString(type, text);
    return -1;
}

static int assign_item(Map *m, PyObject *key, PyObject *value)
{
    Py_ssize_t i;
    if (index_argument(m, key, &i) < 0) return -1;
    if (!value) return refuse(PyExc_TypeError, "mmap doesn't support item deletion");
    if (!PyIndex_Check(value)) return refuse(PyExc_TypeError, "mmap item value must be an int");
    Py_ssize_t byte = PyNumber_AsSsize_t(value, PyExc_TypeError);
    if (byte == -1 && PyErr_Occurred()) return -1;
    if (byte < 0 || byte > 255) return refuse(PyExc_ValueError, "mmap item value must be in range(0, 256)");
    if (check_open(m) < 0 || check_index(m, i) < 0) return -1;
    m->data[i] = (char)byte;
    return 0;
}

static int assign_slice(Map *m, PyObject *slice, PyObject *value)
{
    Py_ssize_t start, stop, step;
    Py_buffer view;
    if (PySlice_Unpack(slice, &start, &stop, &step) < 0) return -1;
    if (!value) return refuse(PyExc_TypeError, "mmap object doesn't support slice deletion");
    if (PyObject_GetBuffer(value, &view, PyBUF_SIMPLE) < 0) return -1;
    int status = check_open(m);
    if (status == 0) {
        Py_ssize_t n = PySlice_AdjustIndices(m->size, &start, &stop, step);
        if (view.len != n) status = refuse(PyExc_IndexError, "mmap slice assignment is wrong size");
        else if (step == 1) memmove(m->data + start, view.buf, (size_t)n);
        else for (Py_ssize_t i = 0; i < n; i++) m->data[start + i * step] = ((char *)view.buf)[i];
    }
    PyBuffer_Release(&view);
    return status;
}

static int map_ass_subscript(PyObject *self, PyObject *key, PyObject *value)
{
    Map *m = MAP(self);
    if (check_open(m) < 0 || check_writable(m) < 0) return -1;
    if (PyIndex_Check(key)) return assign_item(m, key, value);
    if (PySlice_Check(key)) return assign_slice(m, key, value);
    return refuse(PyExc_TypeError, "mmap indices must be integer");
}

static int map_ass_item(PyObject *self, Py_ssize_t i, PyObject *value)
{
    Map *m = MAP(self);
    if (check_open(m) < 0 || check_index(m, i) < 0) return -1;
    if (!value) return refuse(PyExc_TypeError, "mmap object doesn't support item deletion");
    if (!PyBytes_Check(value) || PyBytes_Size(value) != 1) return refuse(PyExc_IndexError, "mmap assignment must be length-1 bytes()");
    if (check_writable(m) < 0) return -1;
    m->data[i] = PyBytes_AS_STRING(value)[0];
    return 0;
}

static int map_getbuffer(PyObject *self, Py_buffer *view, int flags)
{
    Map *m = MAP(self);
    if (check_open(m) < 0 || PyBuffer_FillInfo(view, self, m->data, m->size, m->access == ACCESS_READ, flags) < 0) return -1;
    m->exports++;
    return 0;
}

static void map_releasebuffer(PyObject *self, Py_buffer *view) { MAP(self)->exports--; }

/* ---- module ----------------------------------------------------------------------------------------------------------------------------- */

#define VARARGS(name) { #name, map_##name, METH_VARARGS, NULL }

static PyMethodDef map_methods[] = {
    METHOD(map, close), VARARGS(find), VARARGS(rfind), VARARGS(flush), VARARGS(madvise), VARARGS(move), VARARGS(read), METHOD(map, read_byte),
    METHOD(map, readline), VARARGS(resize), VARARGS(seek), METHOD(map, seekable), METHOD(map, size), METHOD(map, tell), VARARGS(write),
    VARARGS(write_byte), METHOD(map, __enter__), VARARGS(__exit__), {0},
};

static PyMemberDef map_members[] = { { "__weaklistoffset__", Py_T_PYSSIZET, offsetof(Map, weakrefs), Py_READONLY }, {0} };
static PyGetSetDef map_getset[] = { { "closed", map_closed }, {0} };

static PyType_Slot map_slots[] = {
    SLOT(tp_new, map_new), SLOT(tp_dealloc, map_dealloc), SLOT(tp_repr, map_repr), SLOT(tp_getattro, PyObject_GenericGetAttr),
    SLOT(tp_methods, map_methods), SLOT(tp_members, map_members), SLOT(tp_getset, map_getset), SLOT(tp_traverse, map_traverse),
    SLOT(tp_doc, "mmap(fileno, length[, flags[, prot[, access[, offset[, trackfd]]]]])\n\n"
                 "Map length bytes of a file, from offset on, or with fileno -1 anonymous memory. A length of 0 stands for\n"
                 "the rest of the file. Either access, one of ACCESS_READ, ACCESS_WRITE and ACCESS_COPY, or flags and prot,\n"
                 "those of the system call, say what may be done with it. The descriptor is duplicated unless trackfd is False."),
    SLOT(sq_length, map_length), SLOT(sq_item, map_item), SLOT(sq_ass_item, map_ass_item), SLOT(mp_length, map_length),
    SLOT(mp_subscript, map_subscript), SLOT(mp_ass_subscript, map_ass_subscript), SLOT(bf_getbuffer, map_getbuffer),
    SLOT(bf_releasebuffer, map_releasebuffer), {0},
};

static PyType_Spec map_spec = {
    .name = "mmap.mmap", .basicsize = sizeof(Map), .slots = map_slots,
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
};

static const struct { const char *name; long value; } constants[] = {
#define C(name) { #name, name }
    C(PROT_EXEC), C(PROT_READ), C(PROT_WRITE), C(MAP_SHARED), C(MAP_PRIVATE), C(MAP_DENYWRITE), C(MAP_EXECUTABLE),
    { "MAP_ANON", MAP_ANONYMOUS }, C(MAP_ANONYMOUS), C(MAP_POPULATE), C(MAP_STACK), C(MAP_NORESERVE),
#ifdef MAP_32BIT
    C(MAP_32BIT),
#endif
    C(ACCESS_DEFAULT), C(ACCESS_READ), C(ACCESS_WRITE), C(ACCESS_COPY),
    C(MADV_NORMAL), C(MADV_RANDOM), C(MADV_SEQUENTIAL), C(MADV_WILLNEED), C(MADV_DONTNEED), C(MADV_REMOVE), C(MADV_DONTFORK), C(MADV_DOFORK),
    C(MADV_HWPOISON), C(MADV_MERGEABLE), C(MADV_UNMERGEABLE), C(MADV_HUGEPAGE), C(MADV_NOHUGEPAGE), C(MADV_DONTDUMP), C(MADV_DODUMP),
    C(MADV_FREE),
#undef C
};

static int mmap_exec(PyObject *module)
{
    if (PyModule_AddObjectRef(module, "error", PyExc_OSError) < 0 || module_add_type(module, &map_spec, NULL) < 0) return -1;
    for (size_t i = 0; i < ARRAY_LENGTH(constants); i++)
        if (PyModule_AddIntConstant(module, constants[i].name, constants[i].value) < 0) return -1;
    long page = sysconf(_SC_PAGESIZE);
    return PyModule_AddIntConstant(module, "PAGESIZE", page) < 0 || PyModule_AddIntConstant(module, "ALLOCATIONGRANULARITY", page) < 0 ? -1 : 0;
}

static PyModuleDef_Slot mmap_slots[] = { SLOT(mod_exec, mmap_exec), MODULE_SLOTS_COMMON, {0} };
static struct PyModuleDef mmap_module = { PyModuleDef_HEAD_INIT, .m_name = "mmap", .m_slots = mmap_slots };

PyMODINIT_FUNC PyInit_mmap(void) { return PyModuleDef_Init(&mmap_module); }
