/* Array and _Pointer: items, slices, what is special about arrays of characters. */
#include "ctypes.h"

static CTypes *state_of(PyObject *self) { return ctypes_state_of_type(Py_TYPE(Py_TYPE(self))); }

static char item_code(CTypes *state, Info *info)
{
    Info *item = info->proto ? info_of_type(state, info->proto) : NULL;
    return item && item->kind == KIND_SIMPLE ? item->code->code : 0;
}

/* ---- arrays ---- */

static int array_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(args); i++)
        if (PySequence_SetItem(self, i, PyTuple_GET_ITEM(args, i)) < 0) return -1;
    return 0;
}

static Py_ssize_t array_length(PyObject *self) { return CDATA(self)->length; }

static PyObject *array_item(PyObject *self, Py_ssize_t i)
{
    CTypes *state = state_of(self);
    Info *info = state ? info_of(self) : NULL;
    if (!info) return NULL;
    if (i < 0 || i >= CDATA(self)->length) return PyErr_Format(PyExc_IndexError, "invalid index");
    Info *item = info_of_type(state, info->proto);
    return cdata_get(state, info->proto, NULL, CDATA(self), i, item->size, CDATA(self)->ptr + i * item->size);
}

static int array_set_item(PyObject *self, Py_ssize_t i, PyObject *value)
{
    CTypes *state = state_of(self);
    Info *info = state ? info_of(self) : NULL;
    if (!info) return -1;
    if (!value) {
        PyErr_SetString(PyExc_TypeError, "Array does not support item deletion");
        return -1;
    }
    if (i < 0 || i >= CDATA(self)->length) {
        PyErr_SetString(PyExc_IndexError, "invalid index");
        return -1;
    }
    Info *item = info_of_type(state, info->proto);
    return cdata_set(state, CDATA(self), info->proto, NULL, value, i, item->size, CDATA(self)->ptr + i * item->size);
}

/* A slice of characters is bytes or str, of others a list. */
static PyObject *slice_of(PyObject *self, CTypes *state, Info *info, char *ptr, Py_ssize_t start, Py_ssize_t step, Py_ssize_t n, PyObject *(*get)(PyObject *, Py_ssize_t))
{
    char code = item_code(state, info);
    if (code == 'c') {
        PyObject *bytes = PyBytes_FromStringAndSize(NULL, n > 0 ? n : 0);
        for (Py_ssize_t i = 0; bytes && i < n; i++) PyBytes_AS_STRING(bytes)[i] = ptr[start + i * step];
        return bytes;
    }
    if (code == 'u') {
        wchar_t *text = PyMem_Malloc(sizeof(wchar_t) * (size_t)(n > 0 ? n : 1));
        if (!text) return PyErr_NoMemory();
        for (Py_ssize_t i = 0; i < n; i++) text[i] = ((wchar_t *)ptr)[start + i * step];
        PyObject *result = PyUnicode_FromWideChar(text, n > 0 ? n : 0);
        PyMem_Free(text);
        return result;
    }
    PyObject *list = PyList_New(n > 0 ? n : 0);
    for (Py_ssize_t i = 0; list && i < n; i++) {
        PyObject *item = get(self, start + i * step);
        if (!item) Py_CLEAR(list);
        else PyList_SET_ITEM(list, i, item);
    }
    return list;
}

static PyObject *array_subscript(PyObject *self, PyObject *key)
{
    if (PyIndex_Check(key)) {
        Py_ssize_t i = PyNumber_AsSsize_t(key, PyExc_IndexError);
        if (i == -1 && PyErr_Occurred()) return NULL;
        return array_item(self, i < 0 ? i + CDATA(self)->length : i);
    }
    if (!PySlice_Check(key)) return PyErr_Format(PyExc_TypeError, "indices must be integers");
    Py_ssize_t start, stop, step;
    CTypes *state = state_of(self);
    if (!state || PySlice_Unpack(key, &start, &stop, &step) < 0) return NULL;
    Py_ssize_t n = PySlice_AdjustIndices(CDATA(self)->length, &start, &stop, step);
    return slice_of(self, state, info_of(self), CDATA(self)->ptr, start, step, n, array_item);
}

static int array_set_subscript(PyObject *self, PyObject *key, PyObject *value)
{
    if (!value) {
        PyErr_SetString(PyExc_TypeError, "Array does not support item deletion");
        return -1;
    }
    if (PyIndex_Check(key)) {
        Py_ssize_t i = PyNumber_AsSsize_t(key, PyExc_IndexError);
        if (i == -1 && PyErr_Occurred()) return -1;
        return array_set_item(self, i < 0 ? i + CDATA(self)->length : i, value);
    }
    if (!PySlice_Check(key)) {
        PyErr_SetString(PyExc_TypeError, "indices must be integer");
        return -1;
    }
    Py_ssize_t start, stop, step;
    if (PySlice_Unpack(key, &start, &stop, &step) < 0) return -1;
    Py_ssize_t n = PySlice_AdjustIndices(CDATA(self)->length, &start, &stop, step), given = PySequence_Size(value);
    if (given < 0) return -1;
    if ((step < 0 && start < stop) || (step > 0 && start > stop)) stop = start;
    if (given != n) {
        PyErr_SetString(PyExc_ValueError, "Can only assign sequence of same size");
        return -1;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *item = PySequence_GetItem(value, i);
        int r = item ? array_set_item(self, start + i * step, item) : -1;
        Py_XDECREF(item);
        if (r < 0) return -1;
    }
    return 0;
}

/* `value` and `raw` of arrays of c_char, `value` of arrays of c_wchar: attributes that only those classes get. */
static PyObject *chars_get_raw(PyObject *self, void *closure) { return PyBytes_FromStringAndSize(CDATA(self)->ptr, CDATA(self)->size); }

static int chars_set_raw(PyObject *self, PyObject *value, void *closure)
{
    if (!value) {
        PyErr_SetString(PyExc_AttributeError, "cannot delete attribute");
        return -1;
    }
    Py_buffer view;
    if (PyObject_GetBuffer(value, &view, PyBUF_SIMPLE) < 0) return -1;
    int r = view.len > CDATA(self)->size ? -1 : 0;
    if (r < 0) PyErr_SetString(PyExc_ValueError, "byte string too long");
    else memmove(CDATA(self)->ptr, view.buf, (size_t)view.len);
    PyBuffer_Release(&view);
    return r;
}

static PyObject *chars_get_value(PyObject *self, void *closure)
{
    return PyBytes_FromStringAndSize(CDATA(self)->ptr, (Py_ssize_t)strnlen(CDATA(self)->ptr, (size_t)CDATA(self)->size));
}

static int chars_set_value(PyObject *self, PyObject *value, void *closure)
{
    if (!value) {
        PyErr_SetString(PyExc_TypeError, "can't delete attribute");
        return -1;
    }
    if (!PyBytes_Check(value)) {
        PyErr_Format(PyExc_TypeError, "bytes expected instead of %s instance", Py_TYPE(value)->tp_name);
        return -1;
    }
    Py_ssize_t n = PyBytes_GET_SIZE(value);
    if (n > CDATA(self)->size) {
        PyErr_SetString(PyExc_ValueError, "byte string too long");
        return -1;
    }
    memcpy(CDATA(self)->ptr, PyBytes_AS_STRING(value), (size_t)n);
    if (n < CDATA(self)->size) CDATA(self)->ptr[n] = 0;
    return 0;
}

static PyObject *wide_get_value(PyObject *self, void *closure)
{
    wchar_t *text = (wchar_t *)CDATA(self)->ptr;
    return PyUnicode_FromWideChar(text, (Py_ssize_t)wcsnlen(text, (size_t)CDATA(self)->size / sizeof(wchar_t)));
}

static int wide_set_value(PyObject *self, PyObject *value, void *closure)
{
    if (!value) {
        PyErr_SetString(PyExc_TypeError, "can't delete attribute");
        return -1;
    }
    if (!PyUnicode_Check(value)) {
        PyErr_Format(PyExc_TypeError, "unicode string expected instead of %s instance", Py_TYPE(value)->tp_name);
        return -1;
    }
    Py_ssize_t room = CDATA(self)->size / (Py_ssize_t)sizeof(wchar_t), n = PyUnicode_GET_LENGTH(value);
    if (n > room) {
        PyErr_SetString(PyExc_ValueError, "string too long");
        return -1;
    }
    return PyUnicode_AsWideChar(value, (wchar_t *)CDATA(self)->ptr, n < room ? n + 1 : room) < 0 ? -1 : 0;
}

/* Which of them a class has is found when the attribute is asked for, by the code of its items. */
static PyObject *array_get_special(PyObject *self, void *raw)
{
    CTypes *state = state_of(self);
    char code = state ? item_code(state, info_of(self)) : 0;
    if (code == 'c') return raw ? chars_get_raw(self, NULL) : chars_get_value(self, NULL);
    if (code == 'u' && !raw) return wide_get_value(self, NULL);
    return state ? PyErr_Format(PyExc_AttributeError, "'%s' object has no attribute '%s'", Py_TYPE(self)->tp_name, raw ? "raw" : "value") : NULL;
}

static int array_set_special(PyObject *self, PyObject *value, void *raw)
{
    CTypes *state = state_of(self);
    char code = state ? item_code(state, info_of(self)) : 0;
    if (code == 'c') return raw ? chars_set_raw(self, value, NULL) : chars_set_value(self, value, NULL);
    if (code == 'u' && !raw) return wide_set_value(self, value, NULL);
    if (state) {                              /* an ordinary attribute of an instance */
        PyObject *dict = PyObject_GenericGetDict(self, NULL), *name = PyUnicode_FromString(raw ? "raw" : "value");
        int r = !dict || !name ? -1 : value ? PyDict_SetItem(dict, name, value) : PyDict_DelItem(dict, name);
        Py_XDECREF(dict);
        Py_XDECREF(name);
        return r;
    }
    return -1;
}

static PyGetSetDef array_getset[] = {
    { "value", array_get_special, array_set_special, "string value", NULL }, { "raw", array_get_special, array_set_special, "value", "raw" }, { 0 }
};
static PyMethodDef array_methods[] = {
    { "__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, "See PEP 585" }, { 0 }
};
static PyType_Slot array_slots[] = {
    { Py_tp_new, cdata_new }, { Py_tp_init, array_init }, { Py_sq_length, array_length }, { Py_sq_item, array_item }, { Py_sq_ass_item, array_set_item },
    { Py_mp_length, array_length }, { Py_mp_subscript, array_subscript }, { Py_mp_ass_subscript, array_set_subscript }, { Py_tp_getset, array_getset },
    { Py_tp_methods, array_methods }, { Py_bf_getbuffer, cdata_get_buffer }, { Py_tp_doc, (char *)"Abstract base class for arrays." }, { 0, NULL }
};

/* ---- pointers ---- */

static int check_pointer(PyObject *self)
{
    if (*(void **)CDATA(self)->ptr) return 0;
    PyErr_SetString(PyExc_ValueError, "NULL pointer access");
    return -1;
}

static PyObject *pointer_get_contents(PyObject *self, void *closure)
{
    Info *info = info_of(self);
    if (!info || check_pointer(self) < 0) return NULL;
    return cdata_view(info->proto, CDATA(self), 0, *(char **)CDATA(self)->ptr);
}

static int pointer_set_contents(PyObject *self, PyObject *value, void *closure)
{
    Info *info = info_of(self);
    if (!info) return -1;
    if (!value) {
        PyErr_SetString(PyExc_TypeError, "Pointer does not support item deletion");
        return -1;
    }
    int is = PyObject_IsInstance(value, info->proto);
    if (is < 0) return -1;
    if (!is) {
        PyErr_Format(PyExc_TypeError, "expected %s instead of %s", ((PyTypeObject *)info->proto)->tp_name, Py_TYPE(value)->tp_name);
        return -1;
    }
    *(void **)CDATA(self)->ptr = CDATA(value)->ptr;
    if (cdata_keep(CDATA(self), 1, Py_NewRef(value)) < 0) return -1;
    PyObject *kept = cdata_kept(CDATA(value));
    return kept ? cdata_keep(CDATA(self), 0, Py_NewRef(kept)) : -1;
}

static int pointer_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    PyObject *value = NULL;
    if (!PyArg_ParseTuple(args, "|O:POINTER", &value)) return -1;
    return value ? pointer_set_contents(self, value, NULL) : 0;
}

static PyObject *pointer_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    Info *info = info_concrete((PyObject *)type);
    if (!info) return NULL;
    if (!info->proto) return PyErr_Format(PyExc_TypeError, "Cannot create instance: has no _type_");
    return cdata_new(type, args, kwargs);
}

static PyObject *pointer_item(PyObject *self, Py_ssize_t i)
{
    CTypes *state = state_of(self);
    Info *info = state ? info_of(self) : NULL;
    if (!info || check_pointer(self) < 0) return NULL;
    Info *item = info_of_type(state, info->proto);
    return cdata_get(state, info->proto, NULL, CDATA(self), i, item->size, *(char **)CDATA(self)->ptr + i * item->size);
}

static int pointer_set_item(PyObject *self, Py_ssize_t i, PyObject *value)
{
    CTypes *state = state_of(self);
    Info *info = state ? info_of(self) : NULL;
    if (!info) return -1;
    if (!value) {
        PyErr_SetString(PyExc_TypeError, "Pointer does not support item deletion");
        return -1;
    }
    if (check_pointer(self) < 0) return -1;
    Info *item = info_of_type(state, info->proto);
    return cdata_set(state, CDATA(self), info->proto, NULL, value, i, item->size, *(char **)CDATA(self)->ptr + i * item->size);
}

static PyObject *pointer_subscript(PyObject *self, PyObject *key)
{
    if (PyIndex_Check(key)) {
        Py_ssize_t i = PyNumber_AsSsize_t(key, PyExc_IndexError);
        return i == -1 && PyErr_Occurred() ? NULL : pointer_item(self, i);
    }
    if (!PySlice_Check(key)) return PyErr_Format(PyExc_TypeError, "Pointer indices must be integer");
    PySliceObject *slice = (PySliceObject *)key;
    Py_ssize_t step = 1, start = 0, stop;
    if (slice->step != Py_None) {
        step = PyNumber_AsSsize_t(slice->step, PyExc_ValueError);
        if (step == -1 && PyErr_Occurred()) return NULL;
        if (!step) return PyErr_Format(PyExc_ValueError, "slice step cannot be zero");
    }
    if (slice->start != Py_None) {
        start = PyNumber_AsSsize_t(slice->start, PyExc_ValueError);
        if (start == -1 && PyErr_Occurred()) return NULL;
    }
    else if (step < 0) return PyErr_Format(PyExc_ValueError, "slice start is required for step < 0");
    if (slice->stop == Py_None) return PyErr_Format(PyExc_ValueError, "slice stop is required");
    stop = PyNumber_AsSsize_t(slice->stop, PyExc_ValueError);
    if (stop == -1 && PyErr_Occurred()) return NULL;
    Py_ssize_t n = 0;
    if (step < 0 && stop < start) n = (stop - start + 1) / step + 1;
    else if (step > 0 && start < stop) n = (stop - start - 1) / step + 1;
    CTypes *state = state_of(self);
    if (!state || check_pointer(self) < 0) return NULL;
    return slice_of(self, state, info_of(self), *(char **)CDATA(self)->ptr, start, step, n, pointer_item);
}

static int pointer_set_subscript(PyObject *self, PyObject *key, PyObject *value)
{
    Py_ssize_t i = PyNumber_AsSsize_t(key, PyExc_IndexError);
    return i == -1 && PyErr_Occurred() ? -1 : pointer_set_item(self, i, value);
}

static int pointer_bool(PyObject *self) { return *(void **)CDATA(self)->ptr != NULL; }

static PyGetSetDef pointer_getset[] = { { "contents", pointer_get_contents, pointer_set_contents, "the object this pointer points to (read-write)", NULL }, { 0 } };
static PyType_Slot pointer_slots[] = {
    { Py_tp_new, pointer_new }, { Py_tp_init, pointer_init }, { Py_sq_item, pointer_item }, { Py_sq_ass_item, pointer_set_item }, { Py_mp_subscript, pointer_subscript },
    { Py_mp_ass_subscript, pointer_set_subscript }, { Py_nb_bool, pointer_bool }, { Py_tp_getset, pointer_getset }, { Py_bf_getbuffer, cdata_get_buffer },
    { Py_tp_doc, (char *)"Abstract base class for pointers." }, { 0, NULL }
};

int ctypes_add_pointers(PyObject *module, CTypes *state)
{
    enum { FLAGS = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_IMMUTABLETYPE };
    PyType_Spec array = { "_ctypes.Array", sizeof(CData), 0, FLAGS, array_slots };
    PyType_Spec pointer = { "_ctypes._Pointer", sizeof(CData), 0, FLAGS, pointer_slots };
    state->array = (PyTypeObject *)PyType_FromMetaclass(state->array_meta, module, &array, (PyObject *)state->data);
    state->pointer = (PyTypeObject *)PyType_FromMetaclass(state->pointer_meta, module, &pointer, (PyObject *)state->data);
    return state->array && state->pointer && PyModule_AddType(module, state->array) == 0 ? PyModule_AddType(module, state->pointer) : -1;
}
