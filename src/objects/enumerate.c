/* enumerate and reversed. */
#include "objects/containers_private.h"
#include "objects/tuple.h"

/* ---- enumerate ------------------------------------------------------------------------------------------------------------ */

typedef struct Enumerate {
    PyObject_HEAD
    Py_ssize_t index;                         /* PY_SSIZE_T_MAX: long_index counts */
    PyObject *iterator;
    PyObject *result;                         /* pair to reuse */
    PyObject *long_index;                     /* or NULL */
    PyObject *one;                            /* kept for the layout's sake: the size is visible */
} Enumerate;

#define ENUMERATE(o) ((Enumerate *)(o))

static PyObject *enumerate_make(PyTypeObject *type, PyObject *iterable, PyObject *start)
{
    Enumerate *e = (Enumerate *)type->tp_alloc(type, 0);
    if (!e) return NULL;
    e->one = SMALL_INT(1);
    if (start) {
        if (!(start = PyNumber_Index(start))) goto fail;
        int overflow;
        long value = PyLong_AsLongAndOverflow(start, &overflow);
        if (overflow || value == PY_SSIZE_T_MAX) {
            e->index = PY_SSIZE_T_MAX;
            e->long_index = start;
        }
        else {
            e->index = value;
            Py_DECREF(start);
        }
    }
    if (!(e->iterator = PyObject_GetIter(iterable))) goto fail;
    if (!(e->result = PyTuple_Pack(2, Py_None, Py_None))) goto fail;
    return OBJECT(e);
fail:
    Py_DECREF(e);
    return NULL;
}

static int expect_keyword(PyObject *kwnames, Py_ssize_t i, const char *name)
{
    PyObject *given = PyTuple_GET_ITEM(kwnames, i);
    if (PyUnicode_EqualToUTF8(given, name)) return 0;
    PyErr_Format(PyExc_TypeError, "'%.200S' is an invalid keyword argument for enumerate()", given);
    return -1;
}

static PyObject *enumerate_vectorcall(PyObject *o, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    PyTypeObject *type = (PyTypeObject *)o;
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf), keywords = kwnames ? PyTuple_GET_SIZE(kwnames) : 0;
    if (nargs + keywords == 2) {
        if (keywords == 1 && expect_keyword(kwnames, 0, "start") < 0) return NULL;
        if (keywords == 2) {
            if (PyUnicode_EqualToUTF8(PyTuple_GET_ITEM(kwnames, 0), "start"))
                return expect_keyword(kwnames, 1, "iterable") < 0 ? NULL : enumerate_make(type, args[1], args[0]);
            if (expect_keyword(kwnames, 0, "iterable") < 0 || expect_keyword(kwnames, 1, "start") < 0) return NULL;
        }
        return enumerate_make(type, args[0], args[1]);
    }
    if (nargs + keywords == 1) {
        if (keywords && expect_keyword(kwnames, 0, "iterable") < 0) return NULL;
        return enumerate_make(type, args[0], NULL);
    }
    if (nargs == 0) PyErr_SetString(PyExc_TypeError, "enumerate() missing required argument 'iterable'");
    else PyErr_Format(PyExc_TypeError, "enumerate() takes at most %d arguments (%zd given)", 2, nargs + keywords);
    return NULL;
}

SIGNATURE(enumerate_signature, "enumerate", KEYWORDS, "(iterable, start=0)");

static PyObject *enumerate_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *arg[2];
    if (args_bind_tuple(&enumerate_signature, args, kwargs, arg) < 0) return NULL;
    return enumerate_make(type, arg[0], arg[1]);
}

static void enumerate_dealloc(PyObject *o)
{
    Enumerate *e = ENUMERATE(o);
    PyObject_GC_UnTrack(o);
    Py_XDECREF(e->iterator);
    Py_XDECREF(e->result);
    Py_XDECREF(e->long_index);
    Py_TYPE(o)->tp_free(o);
}

static int enumerate_traverse(PyObject *o, visitproc visit, void *arg)
{
    Py_VISIT(ENUMERATE(o)->iterator);
    Py_VISIT(ENUMERATE(o)->result);
    Py_VISIT(ENUMERATE(o)->long_index);
    return 0;
}

/* The number for this item; the counter moves on. New reference. */
static PyObject *enumerate_number(Enumerate *e)
{
    if (LIKELY(e->index != PY_SSIZE_T_MAX)) return PyLong_FromSsize_t(e->index++);
    if (!e->long_index && !(e->long_index = PyLong_FromSsize_t(PY_SSIZE_T_MAX))) return NULL;
    PyObject *next = PyNumber_Add(e->long_index, SMALL_INT(1)), *now = e->long_index;
    if (!next) return NULL;
    e->long_index = next;
    return now;
}

static PyObject *enumerate_next(PyObject *o)
{
    Enumerate *e = ENUMERATE(o);
    PyObject *item = stack_check() < 0 ? NULL : Py_TYPE(e->iterator)->tp_iternext(e->iterator), *result = e->result;
    if (!item) return NULL;
    PyObject *number = enumerate_number(e);
    if (!number) {
        Py_DECREF(item);
        return NULL;
    }
    if (Py_REFCNT(result) == 1) {                          /* nobody kept the last pair: use it again */
        PyObject *old_number = PyTuple_GET_ITEM(result, 0), *old_item = PyTuple_GET_ITEM(result, 1);
        Py_INCREF(result);
        PyTuple_SET_ITEM(result, 0, number);
        PyTuple_SET_ITEM(result, 1, item);
        pair_track(thread_get(), result, number, item);
        Py_DECREF(old_number);
        Py_DECREF(old_item);
        return result;
    }
    PyObject *const pair[2] = { number, item };
    return tuple_from_array_steal(pair, 2);
}

BUILTIN_NOARGS(enumerate, __reduce__, "($self, /)", "Return state information for pickling.")
{
    Enumerate *e = ENUMERATE(self);
    if (e->long_index) return Py_BuildValue("O(OO)", Py_TYPE(self), e->iterator, e->long_index);
    return Py_BuildValue("O(On)", Py_TYPE(self), e->iterator, e->index);
}

static PyMethodDef enumerate_methods[] = { METHOD(enumerate, __reduce__), CLASS_GETITEM, { 0 } };

PyTypeObject PyEnum_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "enumerate",
    .tp_basicsize = sizeof(Enumerate),
    .tp_dealloc = enumerate_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .tp_doc = "enumerate(iterable, start=0)\n--\n\nReturn an enumerate object.\n\n  iterable\n    an object supporting iteration\n\n"
              "It yields pairs of a count (from start) and a value that the iterable\nyields: (0, seq[0]), (1, seq[1]), (2, seq[2]), ...",
    .tp_traverse = enumerate_traverse,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = enumerate_next,
    .tp_methods = enumerate_methods,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = enumerate_new,
    .tp_free = PyObject_GC_Del,
    .tp_vectorcall = enumerate_vectorcall,
};

/* ---- reversed ----------------------------------------------------------------------------------------------------------------- */

typedef struct Reversed {
    PyObject_HEAD
    Py_ssize_t index;
    PyObject *sequence;                       /* NULL when exhausted */
} Reversed;

#define REVERSED(o) ((Reversed *)(o))

/* sequence.__reversed__() if the type has it, an iterator over indices otherwise. */
static PyObject *reversed_make(PyTypeObject *type, PyObject *sequence)
{
    PyObject *method = _PyType_Lookup(Py_TYPE(sequence), STR(__reversed__));       /* borrowed */
    if (method == Py_None) goto not_reversible;
    if (method) {
        descrgetfunc get = Py_TYPE(method)->tp_descr_get;
        PyObject *bound = get ? get(method, sequence, OBJECT(Py_TYPE(sequence))) : Py_NewRef(method);
        PyObject *result = bound ? PyObject_CallNoArgs(bound) : NULL;
        Py_XDECREF(bound);
        return result;
    }
    if (PyErr_Occurred()) return NULL;
    if (!PySequence_Check(sequence)) goto not_reversible;
    Py_ssize_t n = PySequence_Size(sequence);
    if (n < 0) return NULL;
    Reversed *r = (Reversed *)type->tp_alloc(type, 0);
    if (!r) return NULL;
    r->index = n - 1;
    r->sequence = Py_NewRef(sequence);
    return OBJECT(r);
not_reversible:
    PyErr_Format(PyExc_TypeError, "'%.200s' object is not reversible", Py_TYPE(sequence)->tp_name);
    return NULL;
}

SIGNATURE(reversed_signature, "reversed", POSITIONAL, "(sequence, /)");

static PyObject *reversed_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *arg[1];
    if (type != &PyReversed_Type && type->tp_init != PyReversed_Type.tp_init) kwargs = NULL;
    if (args_bind_tuple(&reversed_signature, args, kwargs && PyDict_GET_SIZE(kwargs) ? kwargs : NULL, arg) < 0) return NULL;
    return reversed_make(type, arg[0]);
}

static PyObject *reversed_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    PyObject *arg[1];
    if (args_bind(&reversed_signature, args, PyVectorcall_NARGS(nargsf), kwnames && PyTuple_GET_SIZE(kwnames) ? kwnames : NULL, arg) < 0)
        return NULL;
    return reversed_make((PyTypeObject *)type, arg[0]);
}

static void reversed_dealloc(PyObject *o)
{
    PyObject_GC_UnTrack(o);
    Py_XDECREF(REVERSED(o)->sequence);
    Py_TYPE(o)->tp_free(o);
}

static int reversed_traverse(PyObject *o, visitproc visit, void *arg)
{
    Py_VISIT(REVERSED(o)->sequence);
    return 0;
}

static PyObject *reversed_next(PyObject *o)
{
    Reversed *r = REVERSED(o);
    if (r->index >= 0) {
        PyObject *item = PySequence_GetItem(r->sequence, r->index);
        if (item) {
            r->index--;
            return item;
        }
        if (PyErr_ExceptionMatches(PyExc_IndexError) || PyErr_ExceptionMatches(PyExc_StopIteration)) PyErr_Clear();
    }
    r->index = -1;
    Py_CLEAR(r->sequence);
    return NULL;
}

BUILTIN_NOARGS(reversed, __length_hint__, "($self, /)", "Private method returning an estimate of len(list(it)).")
{
    Reversed *r = REVERSED(self);
    if (!r->sequence) return PyLong_FromLong(0);
    Py_ssize_t n = PySequence_Size(r->sequence), left = r->index + 1;
    if (n < 0) return NULL;
    return PyLong_FromSsize_t(n < left ? 0 : left);
}

BUILTIN_NOARGS(reversed, __reduce__, "($self, /)", "Return state information for pickling.")
{
    Reversed *r = REVERSED(self);
    if (r->sequence) return Py_BuildValue("O(O)n", Py_TYPE(self), r->sequence, r->index);
    return Py_BuildValue("O(())", Py_TYPE(self));
}

BUILTIN_O(reversed, __setstate__, "($self, object, /)", "Set state information for unpickling.")
{
    Reversed *r = REVERSED(self);
    Py_ssize_t index = PyLong_AsSsize_t(arg);
    if (index == -1 && PyErr_Occurred()) return NULL;
    if (r->sequence) {
        Py_ssize_t n = PySequence_Size(r->sequence);
        if (n < 0) return NULL;
        r->index = index < -1 ? -1 : index > n - 1 ? n - 1 : index;
    }
    Py_RETURN_NONE;
}

static PyMethodDef reversed_methods[] = {
    METHOD(reversed, __length_hint__), METHOD(reversed, __reduce__), METHOD(reversed, __setstate__), { 0 },
};

PyTypeObject PyReversed_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "reversed",
    .tp_basicsize = sizeof(Reversed),
    .tp_dealloc = reversed_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .tp_doc = "reversed(sequence, /)\n--\n\nReturn a reverse iterator over the values of the given sequence.",
    .tp_traverse = reversed_traverse,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = reversed_next,
    .tp_methods = reversed_methods,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = reversed_new,
    .tp_free = PyObject_GC_Del,
    .tp_vectorcall = reversed_vectorcall,
};
