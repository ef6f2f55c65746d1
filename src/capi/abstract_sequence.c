/* PySequence_* and PyMapping_*. */
#include "capi/abstract_private.h"

/* ---- sequences: size and items --------------------------------------------------------------------------------------------------- */

int PySequence_Check(PyObject *s)
{
    if (PyDict_Check(s)) return 0;
    return Py_TYPE(s)->tp_as_sequence && Py_TYPE(s)->tp_as_sequence->sq_item;
}

Py_ssize_t PySequence_Size(PyObject *s)
{
    if (!s) {
        abstract_null_error();
        return -1;
    }
    PySequenceMethods *m = Py_TYPE(s)->tp_as_sequence;
    if (m && m->sq_length) return m->sq_length(s);
    bool mapping = Py_TYPE(s)->tp_as_mapping && Py_TYPE(s)->tp_as_mapping->mp_length;
    abstract_type_error(mapping ? "%.200s is not a sequence" : "object of type '%.200s' has no len()", s);
    return -1;
}

#undef PySequence_Length
PyAPI_FUNC(Py_ssize_t) PySequence_Length(PyObject *s);
Py_ssize_t PySequence_Length(PyObject *s) { return PySequence_Size(s); }

static COLD NOINLINE int not_a_sequence(PyObject *s, bool mapping, const char *otherwise)
{
    abstract_type_error(mapping ? "%.200s is not a sequence" : otherwise, s);
    return -1;
}

/* Counts a negative index from the end, where the sequence knows its length. 0 or -1. */
static inline int from_end(PySequenceMethods *m, PyObject *s, Py_ssize_t *i)
{
    if (*i >= 0 || !m->sq_length) return 0;
    Py_ssize_t length = m->sq_length(s);
    if (length < 0) {
        assert(PyErr_Occurred());
        return -1;
    }
    *i += length;
    return 0;
}

PyObject *PySequence_GetItem(PyObject *s, Py_ssize_t i)
{
    if (!s) return abstract_null_error();
    PySequenceMethods *m = Py_TYPE(s)->tp_as_sequence;
    if (LIKELY(m && m->sq_item)) return from_end(m, s, &i) < 0 ? NULL : m->sq_item(s, i);
    bool mapping = Py_TYPE(s)->tp_as_mapping && Py_TYPE(s)->tp_as_mapping->mp_subscript;
    not_a_sequence(s, mapping, "'%.200s' object does not support indexing");
    return NULL;
}

static int assign_item(PyObject *s, Py_ssize_t i, PyObject *value, const char *message)
{
    if (!s) {
        abstract_null_error();
        return -1;
    }
    PySequenceMethods *m = Py_TYPE(s)->tp_as_sequence;
    if (LIKELY(m && m->sq_ass_item)) return from_end(m, s, &i) < 0 ? -1 : m->sq_ass_item(s, i, value);
    bool mapping = Py_TYPE(s)->tp_as_mapping && Py_TYPE(s)->tp_as_mapping->mp_ass_subscript;
    return not_a_sequence(s, mapping, message);
}

int PySequence_SetItem(PyObject *s, Py_ssize_t i, PyObject *value)
{
    return assign_item(s, i, value, "'%.200s' object does not support item assignment");
}

int PySequence_DelItem(PyObject *s, Py_ssize_t i)
{
    return assign_item(s, i, NULL, "'%.200s' object doesn't support item deletion");
}

/* ---- slices ------------------------------------------------------------------------------------------------------------------------------- */

static PyObject *slice_from_indices(Py_ssize_t start, Py_ssize_t stop)
{
    PyObject *first = PyLong_FromSsize_t(start), *last = first ? PyLong_FromSsize_t(stop) : NULL;
    PyObject *slice = last ? PySlice_New(first, last, NULL) : NULL;
    Py_XDECREF(first);
    Py_XDECREF(last);
    return slice;
}

PyObject *PySequence_GetSlice(PyObject *s, Py_ssize_t start, Py_ssize_t stop)
{
    if (!s) return abstract_null_error();
    PyMappingMethods *m = Py_TYPE(s)->tp_as_mapping;
    if (!m || !m->mp_subscript) return abstract_type_error("'%.200s' object is unsliceable", s);
    PyObject *slice = slice_from_indices(start, stop);
    if (!slice) return NULL;
    PyObject *result = m->mp_subscript(s, slice);
    Py_DECREF(slice);
    return result;
}

static int assign_slice(PyObject *s, Py_ssize_t start, Py_ssize_t stop, PyObject *value, const char *message)
{
    if (!s) {
        abstract_null_error();
        return -1;
    }
    PyMappingMethods *m = Py_TYPE(s)->tp_as_mapping;
    if (!m || !m->mp_ass_subscript) {
        abstract_type_error(message, s);
        return -1;
    }
    PyObject *slice = slice_from_indices(start, stop);
    if (!slice) return -1;
    int status = m->mp_ass_subscript(s, slice, value);
    Py_DECREF(slice);
    return status;
}

int PySequence_SetSlice(PyObject *s, Py_ssize_t start, Py_ssize_t stop, PyObject *value)
{
    return assign_slice(s, start, stop, value, "'%.200s' object doesn't support slice assignment");
}

int PySequence_DelSlice(PyObject *s, Py_ssize_t start, Py_ssize_t stop)
{
    return assign_slice(s, start, stop, NULL, "'%.200s' object doesn't support slice deletion");
}

/* ---- concatenation, repetition --------------------------------------------------------------------------------------------------------- */

static PyObject *concat(PyObject *s, PyObject *o, bool inplace)
{
    if (!s || !o) return abstract_null_error();
    PySequenceMethods *m = Py_TYPE(s)->tp_as_sequence;
    if (m && inplace && m->sq_inplace_concat) return m->sq_inplace_concat(s, o);
    if (m && m->sq_concat) return m->sq_concat(s, o);
    if (PySequence_Check(s) && PySequence_Check(o)) {        /* classes may define __add__ only */
        PyObject *result = abstract_add(s, o, inplace);
        if (result != Py_NotImplemented) return result;
        Py_DECREF(result);
    }
    return abstract_type_error("'%.200s' object can't be concatenated", s);
}

PyObject *PySequence_Concat(PyObject *s, PyObject *o) { return concat(s, o, false); }
PyObject *PySequence_InPlaceConcat(PyObject *s, PyObject *o) { return concat(s, o, true); }

static PyObject *repeat(PyObject *s, Py_ssize_t count, bool inplace)
{
    if (!s) return abstract_null_error();
    PySequenceMethods *m = Py_TYPE(s)->tp_as_sequence;
    if (m && inplace && m->sq_inplace_repeat) return m->sq_inplace_repeat(s, count);
    if (m && m->sq_repeat) return m->sq_repeat(s, count);
    if (PySequence_Check(s)) {
        PyObject *n = PyLong_FromSsize_t(count);
        if (!n) return NULL;
        PyObject *result = abstract_multiply(s, n, inplace);
        Py_DECREF(n);
        if (result != Py_NotImplemented) return result;
        Py_DECREF(result);
    }
    return abstract_type_error("'%.200s' object can't be repeated", s);
}

PyObject *PySequence_Repeat(PyObject *s, Py_ssize_t count) { return repeat(s, count, false); }
PyObject *PySequence_InPlaceRepeat(PyObject *s, Py_ssize_t count) { return repeat(s, count, true); }

/* ---- as tuple, list, fast sequence --------------------------------------------------------------------------------------------------------- */

PyObject *PySequence_Tuple(PyObject *o)
{
    if (!o) return abstract_null_error();
    if (PyTuple_CheckExact(o)) return Py_NewRef(o);
    if (PyList_CheckExact(o)) return PyList_AsTuple(o);
    PyObject *it = PyObject_GetIter(o);
    if (!it) return NULL;
    PyObject *result = NULL, *item;
    Py_ssize_t room = PyObject_LengthHint(o, 10), used = 0;
    if (room == -1 || !(result = PyTuple_New(room))) goto error;
    while ((item = PyIter_Next(it))) {
        if (used >= room) {
            if (room > PY_SSIZE_T_MAX / 2 - 10) {
                Py_DECREF(item);
                PyErr_NoMemory();
                goto error;
            }
            room += 10 + (room >> 2) + (room >> 4);
            if (_PyTuple_Resize(&result, room) < 0) {
                Py_DECREF(item);
                goto error;
            }
        }
        PyTuple_SET_ITEM(result, used, item);
        used++;
    }
    if (PyErr_Occurred() || (used < room && _PyTuple_Resize(&result, used) < 0)) goto error;
    Py_DECREF(it);
    return result;
error:
    Py_XDECREF(result);
    Py_DECREF(it);
    return NULL;
}

PyObject *PySequence_List(PyObject *o)
{
    if (!o) return abstract_null_error();
    PyObject *list = PyList_New(0);
    if (list && PyList_Extend(list, o) < 0) Py_CLEAR(list);
    return list;
}

PyObject *PySequence_Fast(PyObject *o, const char *message)
{
    if (!o) return abstract_null_error();
    if (PyList_CheckExact(o) || PyTuple_CheckExact(o)) return Py_NewRef(o);
    PyObject *it = PyObject_GetIter(o);
    if (!it) {
        if (PyErr_ExceptionMatches(PyExc_TypeError)) PyErr_SetString(PyExc_TypeError, message);
        return NULL;
    }
    PyObject *list = PySequence_List(it);
    Py_DECREF(it);
    return list;
}

/* ---- search -------------------------------------------------------------------------------------------------------------------------------------- */

enum Search { SEARCH_COUNT, SEARCH_INDEX, SEARCH_CONTAINS };

static Py_ssize_t search(PyObject *s, PyObject *value, enum Search what)
{
    if (!s || !value) {
        abstract_null_error();
        return -1;
    }
    PyObject *it = PyObject_GetIter(s), *item;
    if (!it) {
        if (PyErr_ExceptionMatches(PyExc_TypeError)) abstract_type_error("argument of type '%.200s' is not iterable", s);
        return -1;
    }
    Py_ssize_t n = 0;                         /* what is counted: hits, or items before the hit */
    bool overflow = false;
    while ((item = PyIter_Next(it))) {
        int equal = PyObject_RichCompareBool(item, value, Py_EQ);
        Py_DECREF(item);
        if (equal < 0) goto error;
        if (equal && what == SEARCH_CONTAINS) {
            n = 1;
            goto done;
        }
        if (equal && what == SEARCH_INDEX) {
            if (overflow) {
                PyErr_SetString(PyExc_OverflowError, "index exceeds C integer size");
                goto error;
            }
            goto done;
        }
        if (equal && n == PY_SSIZE_T_MAX) {
            PyErr_SetString(PyExc_OverflowError, "count exceeds C integer size");
            goto error;
        }
        if (what == SEARCH_INDEX && n == PY_SSIZE_T_MAX) overflow = true;
        else n += what == SEARCH_INDEX || equal;
    }
    if (PyErr_Occurred()) goto error;
    if (what == SEARCH_INDEX) {
        PyErr_SetString(PyExc_ValueError, "sequence.index(x): x not in sequence");
        goto error;
    }
    if (what == SEARCH_CONTAINS) n = 0;
done:
    Py_DECREF(it);
    return n;
error:
    Py_DECREF(it);
    return -1;
}

Py_ssize_t PySequence_Count(PyObject *s, PyObject *value) { return search(s, value, SEARCH_COUNT); }
Py_ssize_t PySequence_Index(PyObject *s, PyObject *value) { return search(s, value, SEARCH_INDEX); }

int PySequence_Contains(PyObject *s, PyObject *value)
{
    PySequenceMethods *m = Py_TYPE(s)->tp_as_sequence;
    if (UNLIKELY(!value)) {                                /* nothing to compare with is no error in what is empty */
        if ((PyList_CheckExact(s) || PyTuple_CheckExact(s)) && Py_SIZE(s) == 0) return 0;
        abstract_null_error();
        return -1;
    }
    if (LIKELY(m && m->sq_contains)) return m->sq_contains(s, value);
    return (int)search(s, value, SEARCH_CONTAINS);
}

#undef PySequence_In
PyAPI_FUNC(int) PySequence_In(PyObject *s, PyObject *value);
int PySequence_In(PyObject *s, PyObject *value) { return PySequence_Contains(s, value); }

/* ---- mappings ------------------------------------------------------------------------------------------------------------------------------------- */

int PyMapping_Check(PyObject *o) { return o && Py_TYPE(o)->tp_as_mapping && Py_TYPE(o)->tp_as_mapping->mp_subscript; }

Py_ssize_t PyMapping_Size(PyObject *o)
{
    if (!o) {
        abstract_null_error();
        return -1;
    }
    PyMappingMethods *m = Py_TYPE(o)->tp_as_mapping;
    if (LIKELY(m && m->mp_length)) return m->mp_length(o);
    bool sequence = Py_TYPE(o)->tp_as_sequence && Py_TYPE(o)->tp_as_sequence->sq_length;
    abstract_type_error(sequence ? "%.200s is not a mapping" : "object of type '%.200s' has no len()", o);
    return -1;
}

#undef PyMapping_Length
PyAPI_FUNC(Py_ssize_t) PyMapping_Length(PyObject *o);
Py_ssize_t PyMapping_Length(PyObject *o) { return PyMapping_Size(o); }

PyObject *PyMapping_GetItemString(PyObject *o, const char *key)
{
    if (!key) return abstract_null_error();
    PyObject *name = PyUnicode_FromString(key);
    if (!name) return NULL;
    PyObject *result = PyObject_GetItem(o, name);
    Py_DECREF(name);
    return result;
}

int PyMapping_GetOptionalItem(PyObject *o, PyObject *key, PyObject **result)
{
    if (PyDict_CheckExact(o)) return PyDict_GetItemRef(o, key, result);
    *result = PyObject_GetItem(o, key);
    if (*result) return 1;
    assert(PyErr_Occurred());
    if (!PyErr_ExceptionMatches(PyExc_KeyError)) return -1;
    PyErr_Clear();
    return 0;
}

int PyMapping_GetOptionalItemString(PyObject *o, const char *key, PyObject **result)
{
    *result = NULL;
    if (!key) {
        abstract_null_error();
        return -1;
    }
    PyObject *name = PyUnicode_FromString(key);
    if (!name) return -1;
    int status = PyMapping_GetOptionalItem(o, name, result);
    Py_DECREF(name);
    return status;
}

int PyMapping_SetItemString(PyObject *o, const char *key, PyObject *value)
{
    if (!key) {
        abstract_null_error();
        return -1;
    }
    PyObject *name = PyUnicode_FromString(key);
    if (!name) return -1;
    int status = PyObject_SetItem(o, name, value);
    Py_DECREF(name);
    return status;
}

int PyMapping_HasKeyStringWithError(PyObject *o, const char *key)
{
    PyObject *result;
    int status = PyMapping_GetOptionalItemString(o, key, &result);
    Py_XDECREF(result);
    return status;
}

int PyMapping_HasKeyWithError(PyObject *o, PyObject *key)
{
    PyObject *result;
    int status = PyMapping_GetOptionalItem(o, key, &result);
    Py_XDECREF(result);
    return status;
}

int PyMapping_HasKeyString(PyObject *o, const char *key)
{
    PyObject *result = NULL;
    int status = !o ? (abstract_null_error(), -1) : PyMapping_GetOptionalItemString(o, key, &result);
    if (status < 0) {
        PyErr_FormatUnraisable("Exception ignored in PyMapping_HasKeyString(); consider using PyMapping_HasKeyStringWithError(), "
                               "PyMapping_GetOptionalItemString() or PyMapping_GetItemString()");
        return 0;
    }
    Py_XDECREF(result);
    return status;
}

int PyMapping_HasKey(PyObject *o, PyObject *key)
{
    PyObject *result = NULL;
    int status = !o || !key ? (abstract_null_error(), -1) : PyMapping_GetOptionalItem(o, key, &result);
    if (status < 0) {
        PyErr_FormatUnraisable("Exception ignored in PyMapping_HasKey(); consider using PyMapping_HasKeyWithError(), "
                               "PyMapping_GetOptionalItem() or PyObject_GetItem()");
        return 0;
    }
    Py_XDECREF(result);
    return status;
}

static PyObject *list_from_method(PyObject *o, PyObject *name)
{
    PyObject *view = PyObject_CallMethodNoArgs(o, name);
    if (!view) return NULL;
    PyObject *it = PyObject_GetIter(view);
    if (!it && PyErr_ExceptionMatches(PyExc_TypeError))
        PyErr_Format(PyExc_TypeError, "%.200s.%U() returned a non-iterable (type %.200s)", Py_TYPE(o)->tp_name, name, Py_TYPE(view)->tp_name);
    Py_DECREF(view);
    if (!it) return NULL;
    PyObject *list = PySequence_List(it);
    Py_DECREF(it);
    return list;
}

PyObject *PyMapping_Keys(PyObject *o)
{
    if (!o) return abstract_null_error();
    return PyDict_CheckExact(o) ? PyDict_Keys(o) : list_from_method(o, STR(keys));
}

PyObject *PyMapping_Values(PyObject *o)
{
    if (!o) return abstract_null_error();
    return PyDict_CheckExact(o) ? PyDict_Values(o) : list_from_method(o, STR(values));
}

PyObject *PyMapping_Items(PyObject *o)
{
    if (!o) return abstract_null_error();
    return PyDict_CheckExact(o) ? PyDict_Items(o) : list_from_method(o, STR(items));
}
