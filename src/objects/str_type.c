/* The type str: creation, slots, indexing, and its iterators.
 *
 * Instances of subclasses have the characters in a block of their own, so that a subclass can have any layout behind the
 * header; everything else is one block. The iterators of ASCII and other strings are two types, as in CPython. */
#include "capi/args.h"
#include "objects/format.h"
#include "objects/unicode_private.h"

/* ---- creation and end --------------------------------------------------------------------------------------------- */

/* Frees what hangs off s and, for exact and subclass instances alike, s. */
static void str_dealloc(PyObject *s)
{
    PyASCIIObject *head = ASCII_HEAD(s);
    if (UNLIKELY(head->state.interned || head->state.statically_allocated)) {
        if (head->state.statically_allocated || head->state.interned != SSTATE_INTERNED_MORTAL) {
            s->ob_refcnt = _Py_IMMORTAL_REFCNT;            /* an extension released it too often */
            return;
        }
        str_unintern(s);
        head->state.interned = 0;
    }
    if (head->state.compact) {
        if (!head->state.ascii && COMPACT_HEAD(s)->utf8) PyMem_Free(COMPACT_HEAD(s)->utf8);
    }
    else {
        void *data = ((PyUnicodeObject *)s)->data.any;
        if (COMPACT_HEAD(s)->utf8 && COMPACT_HEAD(s)->utf8 != data) PyMem_Free(COMPACT_HEAD(s)->utf8);
        if (data) PyMem_Free(data);
    }
    Py_TYPE(s)->tp_free(s);
}

PyAPI_FUNC(void) _PyUnicode_ExactDealloc(PyObject *s);
void _PyUnicode_ExactDealloc(PyObject *s) { str_dealloc(s); }

/* s (stolen) as an instance of a subclass of str. */
static PyObject *str_new_subtype(PyTypeObject *type, PyObject *s)
{
    PyObject *o = type->tp_alloc(type, 0);
    size_t size = str_data_size(s) + (size_t)KIND(s);
    void *data = NULL;
    if (!o) goto failed;
    memset(&ASCII_HEAD(o)->state, 0, sizeof ASCII_HEAD(o)->state);
    if (!(data = PyMem_Malloc(size))) {
        PyErr_NoMemory();
        goto failed;
    }
    memcpy(data, DATA(s), size);
    ASCII_HEAD(o)->length = LENGTH(s);
    ASCII_HEAD(o)->hash = ASCII_HEAD(s)->hash;
    ASCII_HEAD(o)->state.kind = ASCII_HEAD(s)->state.kind;
    ASCII_HEAD(o)->state.ascii = ASCII_HEAD(s)->state.ascii;
    COMPACT_HEAD(o)->utf8 = PyUnicode_IS_ASCII(s) ? data : NULL;
    COMPACT_HEAD(o)->utf8_length = PyUnicode_IS_ASCII(s) ? LENGTH(s) : 0;
    ((PyUnicodeObject *)o)->data.any = data;
    Py_DECREF(s);
    return o;
failed:
    Py_XDECREF(o);
    Py_DECREF(s);
    return NULL;
}

static const char *codec_name(PyObject *o, const char *what)
{
    Py_ssize_t size;
    if (!PyUnicode_Check(o)) {
        PyErr_Format(PyExc_TypeError, "str() argument '%s' must be str, not %.50s", what, o == Py_None ? "None" : Py_TYPE(o)->tp_name);
        return NULL;
    }
    const char *text = PyUnicode_AsUTF8AndSize(o, &size);
    if (text && strlen(text) != (size_t)size) {
        PyErr_SetString(PyExc_ValueError, "embedded null character");
        return NULL;
    }
    return text;
}

static PyObject *str_create(PyTypeObject *type, PyObject *object, PyObject *encoding, PyObject *errors)
{
    const char *e1 = NULL, *e2 = NULL;
    if (encoding && !(e1 = codec_name(encoding, "encoding"))) return NULL;
    if (errors && !(e2 = codec_name(errors, "errors"))) return NULL;
    PyObject *s = !object ? EMPTY_STR : e1 || e2 ? PyUnicode_FromEncodedObject(object, e1, e2) : PyObject_Str(object);
    return s && type != &PyUnicode_Type ? str_new_subtype(type, s) : s;
}

SIGNATURE(str_new_signature, "str", KEYWORDS, "(object='', encoding='utf-8', errors='strict')");

static PyObject *str_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *arg[3];
    if (args_bind_tuple(&str_new_signature, args, kwargs, arg) < 0) return NULL;
    return str_create(type, arg[0], arg[1], arg[2]);
}

static PyObject *str_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    if (LIKELY(nargs == 1 && !kwnames)) {
        if (type == (PyObject *)&PyUnicode_Type) return PyObject_Str(args[0]);
        return str_create((PyTypeObject *)type, args[0], NULL, NULL);
    }
    if (!kwnames && nargs > 3) {
        PyErr_Format(PyExc_TypeError, "str expected at most 3 arguments, got %zd", nargs);
        return NULL;
    }
    PyObject *arg[3];
    if (args_bind(&str_new_signature, args, nargs, kwnames, arg) < 0) return NULL;
    return str_create((PyTypeObject *)type, arg[0], arg[1], arg[2]);
}

/* ---- slots --------------------------------------------------------------------------------------------------------- */

static Py_hash_t str_tp_hash(PyObject *s) { return str_hash(s); }
static PyObject *str_tp_str(PyObject *s) { return str_exact(s); }
static Py_ssize_t str_length(PyObject *s) { return LENGTH(s); }

static PyObject *str_repeat(PyObject *s, Py_ssize_t times)
{
    Py_ssize_t n = LENGTH(s);
    if (times < 1 || n == 0) return EMPTY_STR;
    if (times == 1) return str_exact(s);
    if (n > PY_SSIZE_T_MAX / times) {
        PyErr_SetString(PyExc_OverflowError, "repeated string is too long");
        return NULL;
    }
    PyObject *result = str_alloc(n * times, KIND(s), PyUnicode_IS_ASCII(s));
    if (!result) return NULL;
    int kind = KIND(s);
    char *data = DATA(result);
    if (n == 1) chars_fill(kind, data, PyUnicode_READ_CHAR(s, 0), times);
    else {
        size_t done = str_data_size(s), all = done * (size_t)times;
        memcpy(data, DATA(s), done);
        for (; done < all; done += done < all - done ? done : all - done) memcpy(data + done, data, done < all - done ? done : all - done);
    }
    return result;
}

static PyObject *str_item(PyObject *s, Py_ssize_t i)
{
    if (LIKELY((size_t)i < (size_t)LENGTH(s))) return str_getitem(s, i);
    PyErr_SetString(PyExc_IndexError, "string index out of range");
    return NULL;
}

#define COPY_STEPS(CHAR) \
    do { \
        const CHAR *from = DATA(s); \
        CHAR *to = buffer; \
        for (Py_ssize_t i = 0, at = start; i < n; i++, at += step) to[i] = from[at]; \
    } while (0)

static PyObject *str_slice_step(PyObject *s, Py_ssize_t start, Py_ssize_t step, Py_ssize_t n)
{
    int kind = KIND(s);
    PyObject *result = str_alloc(n, kind, PyUnicode_IS_ASCII(s));
    if (!result) return NULL;
    void *buffer = DATA(result);
    if (kind == 1) COPY_STEPS(Py_UCS1);
    else if (kind == 2) COPY_STEPS(Py_UCS2);
    else COPY_STEPS(Py_UCS4);
    return n > 1 && PyUnicode_IS_ASCII(result) ? result : str_finish(result, n);
}

static PyObject *str_subscript(PyObject *s, PyObject *key)
{
    if (PyIndex_Check(key)) {
        Py_ssize_t i = PyNumber_AsSsize_t(key, PyExc_IndexError);
        if (i == -1 && PyErr_Occurred()) return NULL;
        return str_item(s, i < 0 ? i + LENGTH(s) : i);
    }
    if (PySlice_Check(key)) {
        Py_ssize_t start, stop, step;
        if (PySlice_Unpack(key, &start, &stop, &step) < 0) return NULL;
        Py_ssize_t n = PySlice_AdjustIndices(LENGTH(s), &start, &stop, step);
        if (n <= 0) return EMPTY_STR;
        if (step == 1) return str_substring(s, start, stop);
        return str_slice_step(s, start, step, n);
    }
    PyErr_Format(PyExc_TypeError, "string indices must be integers, not '%.200s'", Py_TYPE(key)->tp_name);
    return NULL;
}

PyObject *PyUnicode_Format(PyObject *format, PyObject *args)
{
    if (!format || !args) {
        PyErr_BadInternalCall();
        return NULL;
    }
    return str_require(format) < 0 ? NULL : str_percent(format, args);
}

static PyObject *str_mod(PyObject *left, PyObject *right)
{
    if (!PyUnicode_Check(left)) Py_RETURN_NOTIMPLEMENTED;
    return str_percent(left, right);
}

static PyNumberMethods str_as_number = { .nb_remainder = str_mod };

static PySequenceMethods str_as_sequence = {
    .sq_length = str_length, .sq_concat = PyUnicode_Concat, .sq_repeat = str_repeat, .sq_item = str_item, .sq_contains = PyUnicode_Contains,
};

static PyMappingMethods str_as_mapping = { .mp_length = str_length, .mp_subscript = str_subscript };

PyTypeObject PyUnicode_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "str",
    .tp_doc = "str(object='') -> str\nstr(bytes_or_buffer[, encoding[, errors]]) -> str\n\n"
              "The text of an object, as its __str__ or __repr__ gives it; with an encoding or\n"
              "error handler, the text that bytes encode. Encoding is 'utf-8' by default, errors\n"
              "is 'strict'.",
    .tp_basicsize = sizeof(PyUnicodeObject),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_UNICODE_SUBCLASS | _Py_TPFLAGS_MATCH_SELF,
    .tp_dealloc = str_dealloc,
    .tp_repr = str_repr,
    .tp_as_number = &str_as_number,
    .tp_as_sequence = &str_as_sequence,
    .tp_as_mapping = &str_as_mapping,
    .tp_hash = str_tp_hash,
    .tp_str = str_tp_str,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_richcompare = PyUnicode_RichCompare,
    .tp_iter = str_iter,
    .tp_methods = str_methods,
    .tp_base = &PyBaseObject_Type,
    .tp_new = str_new,
    .tp_free = PyObject_Free,
    .tp_vectorcall = str_vectorcall,
};

/* ---- iterators ------------------------------------------------------------------------------------------------------ */

typedef struct StrIterator {
    PyObject_HEAD
    PyObject *string;                                      /* NULL once exhausted */
    Py_ssize_t index;
} StrIterator;

static PyTypeObject str_ascii_iterator_type;

PyObject *str_iter(PyObject *s)
{
    PyTypeObject *type = PyUnicode_IS_COMPACT_ASCII(s) ? &str_ascii_iterator_type : &PyUnicodeIter_Type;
    StrIterator *it = PyObject_GC_New(StrIterator, type);
    if (!it) return NULL;
    it->string = Py_NewRef(s);
    it->index = 0;
    PyObject_GC_Track(it);
    return OBJECT(it);
}

static void str_iterator_dealloc(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    Py_XDECREF(((StrIterator *)self)->string);
    PyObject_GC_Del(self);
}

static int str_iterator_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(((StrIterator *)self)->string);
    return 0;
}

static PyObject *str_ascii_iterator_next(PyObject *self)
{
    StrIterator *it = (StrIterator *)self;
    PyObject *s = it->string;
    if (UNLIKELY(!s)) return NULL;
    if (LIKELY(it->index < LENGTH(s))) return latin1_char(((const Py_UCS1 *)((PyASCIIObject *)s + 1))[it->index++]);
    it->string = NULL;
    Py_DECREF(s);
    return NULL;
}

static PyObject *str_iterator_next(PyObject *self)
{
    StrIterator *it = (StrIterator *)self;
    PyObject *s = it->string;
    if (UNLIKELY(!s)) return NULL;
    if (LIKELY(it->index < LENGTH(s))) return str_getitem(s, it->index++);
    it->string = NULL;
    Py_DECREF(s);
    return NULL;
}

BUILTIN_NOARGS(str_iterator, __length_hint__, "($self, /)", "How many characters are still to come.")
{
    StrIterator *it = (StrIterator *)self;
    return PyLong_FromSsize_t(it->string ? LENGTH(it->string) - it->index : 0);
}

BUILTIN_NOARGS(str_iterator, __reduce__, "($self, /)", "State for pickling.")
{
    PyObject *builtins = PyEval_GetBuiltins(), *iter = builtins ? PyMapping_GetItemString(builtins, "iter") : NULL;
    StrIterator *it = (StrIterator *)self;                 /* looking up "iter" may have run code: look only now */
    if (!iter) return NULL;
    if (it->string) return Py_BuildValue("N(O)n", iter, it->string, it->index);
    return Py_BuildValue("N(O)", iter, EMPTY_STR);
}

BUILTIN_O(str_iterator, __setstate__, "($self, state, /)", "Sets the position, as pickling saved it.")
{
    StrIterator *it = (StrIterator *)self;
    Py_ssize_t index = PyLong_AsSsize_t(arg);
    if (index == -1 && PyErr_Occurred()) return NULL;
    if (it->string) it->index = index < 0 ? 0 : index > LENGTH(it->string) ? LENGTH(it->string) : index;
    Py_RETURN_NONE;
}

static PyMethodDef str_iterator_methods[] = {
    METHOD(str_iterator, __length_hint__), METHOD(str_iterator, __reduce__), METHOD(str_iterator, __setstate__), { 0 },
};

PyTypeObject PyUnicodeIter_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "str_iterator",
    .tp_basicsize = sizeof(StrIterator),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_dealloc = str_iterator_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_traverse = str_iterator_traverse,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = str_iterator_next,
    .tp_methods = str_iterator_methods,
};

static PyTypeObject str_ascii_iterator_type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "str_ascii_iterator",
    .tp_basicsize = sizeof(StrIterator),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_dealloc = str_iterator_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_traverse = str_iterator_traverse,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = str_ascii_iterator_next,
    .tp_methods = str_iterator_methods,
};
