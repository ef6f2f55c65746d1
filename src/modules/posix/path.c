/* Arguments of the posix module: paths, descriptors, ids, and errors that name the path. */
#include "posix_private.h"
#include "objects/type.h"

PyObject *posix_error(void) { return PyErr_SetFromErrno(PyExc_OSError); }

static int wrong_path_type(Path *path, PyObject *value, int allowed)
{
    PyErr_Format(PyExc_TypeError, "%s%s%s should be %s, not %.200s", path->function ? path->function : "", path->function ? ": " : "",
                 path->argument,
                 (allowed & PATH_FD) && (allowed & PATH_NULLABLE) ? "string, bytes, os.PathLike, integer or None"
                 : (allowed & PATH_FD) ? "string, bytes, os.PathLike or integer"
                 : (allowed & PATH_NULLABLE) ? "string, bytes, os.PathLike or None" : "string, bytes or os.PathLike",
                 type_short_name(Py_TYPE(value)));
    return -1;
}

/* str or bytes behind an os.PathLike; new reference. */
static PyObject *fspath(Path *path, PyObject *value, int allowed)
{
    PyObject *method = PyObject_GetAttrString((PyObject *)Py_TYPE(value), "__fspath__");
    if (!method || method == Py_None) {
        Py_XDECREF(method);
        PyErr_Clear();
        wrong_path_type(path, value, allowed);
        return NULL;
    }
    Py_DECREF(method);
    return PyOS_FSPath(value);
}

static int descriptor(PyObject *value, int *fd)
{
    int overflow;
    PyObject *index = PyNumber_Index(value);
    if (!index) return -1;
    long n = PyLong_AsLongAndOverflow(index, &overflow);
    if (PyBool_Check(value) && PyErr_WarnEx(PyExc_RuntimeWarning, "bool is used as a file descriptor", 1) < 0) {
        Py_DECREF(index);
        return -1;
    }
    Py_DECREF(index);
    if (n == -1 && PyErr_Occurred()) return -1;
    if (overflow > 0 || n > INT_MAX) {
        PyErr_SetString(PyExc_OverflowError, "fd is greater than maximum");
        return -1;
    }
    if (overflow < 0 || n < INT_MIN) {
        PyErr_SetString(PyExc_OverflowError, "fd is less than minimum");
        return -1;
    }
    *fd = (int)n;
    return 0;
}

int path_get(Path *path, const char *function, const char *argument, PyObject *value, int allowed)
{
    *path = (Path){ .function = function, .argument = argument, .fd = -1 };
    if (!value || (value == Py_None && (allowed & PATH_NULLABLE))) {
        path->object = Py_NewRef(Py_None);
        return 0;
    }
    PyObject *given = NULL;
    if (PyUnicode_Check(value) || PyBytes_Check(value)) given = Py_NewRef(value);
    else if ((allowed & PATH_FD) && PyIndex_Check(value)) {
        if (descriptor(value, &path->fd) < 0) return -1;
        path->object = Py_NewRef(value);
        return 0;
    }
    else if (!(given = fspath(path, value, allowed))) return -1;
    path->is_bytes = PyBytes_Check(given);
    path->bytes = path->is_bytes ? Py_NewRef(given) : PyUnicode_EncodeFSDefault(given);
    Py_DECREF(given);
    if (!path->bytes) return -1;
    path->narrow = PyBytes_AS_STRING(path->bytes);
    if (strlen(path->narrow) != (size_t)PyBytes_GET_SIZE(path->bytes)) {
        PyErr_Format(PyExc_ValueError, "%s%sembedded null character in %s", function ? function : "", function ? ": " : "", argument);
        Py_CLEAR(path->bytes);
        return -1;
    }
    path->object = Py_NewRef(value);
    return 0;
}

void path_done(Path *path)
{
    Py_CLEAR(path->object);
    Py_CLEAR(path->bytes);
}

PyObject *path_error(Path *path) { return PyErr_SetFromErrnoWithFilenameObject(PyExc_OSError, path->object); }

PyObject *path_error2(Path *a, Path *b) { return PyErr_SetFromErrnoWithFilenameObjects(PyExc_OSError, a->object, b->object); }

int dir_fd_get(PyObject *value, int *fd)
{
    *fd = AT_FDCWD;
    if (!value || value == Py_None) return 0;
    if (!PyIndex_Check(value)) {
        PyErr_Format(PyExc_TypeError, "argument should be integer or None, not %.200s", Py_TYPE(value)->tp_name);
        return -1;
    }
    return descriptor(value, fd);
}

int flag_get(PyObject *value, int otherwise) { return value ? PyObject_IsTrue(value) : otherwise; }

int int_get(PyObject *value, int *result)
{
    *result = PyLong_AsInt(value);
    return *result == -1 && PyErr_Occurred() ? -1 : 0;
}

int offset_get(PyObject *value, off_t *offset)
{
    *offset = (off_t)PyLong_AsLongLong(value);
    return *offset == -1 && PyErr_Occurred() ? -1 : 0;
}

static int id_get(PyObject *value, uint32_t *id, const char *what)
{
    int overflow;
    if (!PyIndex_Check(value)) {
        PyErr_Format(PyExc_TypeError, "%s should be integer, not %.200s", what, Py_TYPE(value)->tp_name);
        return -1;
    }
    PyObject *index = PyNumber_Index(value);
    if (!index) return -1;
    long n = PyLong_AsLongAndOverflow(index, &overflow);
    Py_DECREF(index);
    if (overflow > 0 || (!overflow && n > (long)UINT32_MAX)) PyErr_Format(PyExc_OverflowError, "%s is greater than maximum", what);
    else if (overflow < 0 || n < -1) PyErr_Format(PyExc_OverflowError, "%s is less than minimum", what);
    else {
        *id = (uint32_t)n;
        return 0;
    }
    return -1;
}

int uid_get(PyObject *value, uid_t *uid) { return id_get(value, uid, "uid"); }
int gid_get(PyObject *value, gid_t *gid) { return id_get(value, gid, "gid"); }
PyObject *id_object(uid_t id) { return id == (uid_t)-1 ? PyLong_FromLong(-1) : PyLong_FromUnsignedLong(id); }
