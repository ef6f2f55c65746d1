/* zip, map and filter. */
#include "capi/args.h"
#include "objects/containers_private.h"
#include "objects/tuple.h"

/* ---- zip ------------------------------------------------------------------------------------------------------------------- */

typedef struct Zip {
    PyObject_HEAD
    Py_ssize_t size;
    PyObject *iterators;                      /* tuple */
    PyObject *result;                         /* tuple to reuse */
    int strict;
} Zip;

#define ZIP(o) ((Zip *)(o))

/* strict of zip(*iterables, strict=False); -1 on error. */
static int zip_strictness(PyObject *kwargs)
{
    if (!kwargs || PyDict_GET_SIZE(kwargs) == 0) return 0;
    PyObject *strict = PyDict_GetItemWithError(kwargs, STR(strict));
    if (!strict || PyDict_GET_SIZE(kwargs) > 1) {
        if (PyErr_Occurred()) return -1;
        if (PyDict_GET_SIZE(kwargs) > 1)
            PyErr_Format(PyExc_TypeError, "zip() takes at most 1 keyword argument (%zd given)", PyDict_GET_SIZE(kwargs));
        else {
            PyObject *names = Py_BuildValue("[s]", "strict");
            if (names) args_reject_keywords("zip", names, kwargs);
            Py_XDECREF(names);
        }
        return -1;
    }
    return PyObject_IsTrue(strict);
}

static PyObject *zip_make(PyTypeObject *type, PyObject *const *iterables, Py_ssize_t n, int strict)
{
    PyObject *iterators = PyTuple_New(n), *result = iterators ? PyTuple_New(n) : NULL;
    if (!result) goto fail;
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *it = PyObject_GetIter(iterables[i]);
        if (!it) goto fail;
        PyTuple_SET_ITEM(iterators, i, it);
        PyTuple_SET_ITEM(result, i, Py_NewRef(Py_None));
    }
    Zip *z = (Zip *)type->tp_alloc(type, 0);
    if (!z) goto fail;
    z->size = n;
    z->iterators = iterators;
    z->result = result;
    z->strict = strict;
    return OBJECT(z);
fail:
    Py_XDECREF(iterators);
    Py_XDECREF(result);
    return NULL;
}

static PyObject *zip_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    int strict = zip_strictness(kwargs);
    return strict < 0 ? NULL : zip_make(type, ((PyTupleObject *)args)->ob_item, PyTuple_GET_SIZE(args), strict);
}

static void zip_dealloc(PyObject *o)
{
    PyObject_GC_UnTrack(o);
    Py_XDECREF(ZIP(o)->iterators);
    Py_XDECREF(ZIP(o)->result);
    Py_TYPE(o)->tp_free(o);
}

static int zip_traverse(PyObject *o, visitproc visit, void *arg)
{
    Py_VISIT(ZIP(o)->iterators);
    Py_VISIT(ZIP(o)->result);
    return 0;
}

/* Iterator i ended (and those before it did not): with strict, all must have ended. */
static COLD PyObject *zip_ended(Zip *z, Py_ssize_t i)
{
    if (!z->strict) return NULL;
    if (PyErr_Occurred()) {
        if (!PyErr_ExceptionMatches(PyExc_StopIteration)) return NULL;
        PyErr_Clear();
    }
    if (i) {
        PyErr_Format(PyExc_ValueError, "zip() argument %zd is shorter than argument%s%zd", i + 1, i == 1 ? " " : "s 1-", i);
        return NULL;
    }
    for (i = 1; i < z->size; i++) {
        PyObject *it = PyTuple_GET_ITEM(z->iterators, i), *item = Py_TYPE(it)->tp_iternext(it);
        if (item) {
            Py_DECREF(item);
            PyErr_Format(PyExc_ValueError, "zip() argument %zd is longer than argument%s%zd", i + 1, i == 1 ? " " : "s 1-", i);
            return NULL;
        }
        if (iteration_ended() < 0) return NULL;
    }
    return NULL;
}

static PyObject *zip_next(PyObject *o)
{
    Zip *z = ZIP(o);
    PyObject *result = z->result;
    Py_ssize_t n = z->size;
    if (n == 0) return NULL;
    if (stack_check() < 0) return NULL;
    bool reuse = Py_REFCNT(result) == 1, track = false;
    if (reuse) Py_INCREF(result);
    else if (!(result = PyTuple_New(n))) return NULL;
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *it = PyTuple_GET_ITEM(z->iterators, i), *item = Py_TYPE(it)->tp_iternext(it);
        if (!item) {
            Py_DECREF(result);
            return zip_ended(z, i);
        }
        PyObject *old = PyTuple_GET_ITEM(result, i);
        PyTuple_SET_ITEM(result, i, item);
        track = track || gc_may_be_tracked(item);
        Py_XDECREF(old);
    }
    if (track && reuse && !gc_is_tracked(result)) gc_track(thread_get(), result);      /* untracked while it held nothing such */
    return result;
}

BUILTIN_NOARGS(zip, __reduce__, "($self, /)", "Return state information for pickling.")
{
    if (ZIP(self)->strict) return PyTuple_Pack(3, Py_TYPE(self), ZIP(self)->iterators, Py_True);
    return PyTuple_Pack(2, Py_TYPE(self), ZIP(self)->iterators);
}

BUILTIN_O(zip, __setstate__, "($self, object, /)", "Set state information for unpickling.")
{
    int strict = PyObject_IsTrue(arg);
    if (strict < 0) return NULL;
    ZIP(self)->strict = strict;
    Py_RETURN_NONE;
}

static PyMethodDef zip_methods[] = { METHOD(zip, __reduce__), METHOD(zip, __setstate__), { 0 } };

#define ITERATOR_SLOTS(name)                                                                                            \
    .tp_dealloc = name##_dealloc, .tp_getattro = PyObject_GenericGetAttr,                                               \
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE, .tp_traverse = name##_traverse,          \
    .tp_iter = PyObject_SelfIter, .tp_iternext = name##_next, .tp_methods = name##_methods,                             \
    .tp_alloc = PyType_GenericAlloc, .tp_new = name##_new, .tp_free = PyObject_GC_Del

PyTypeObject PyZip_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "zip",
    .tp_basicsize = sizeof(Zip),
    .tp_doc = "zip(*iterables, strict=False)\n--\n\nThe zip object yields n-length tuples, where n is the number of iterables\n"
              "passed as positional arguments to zip().  The i-th element in every tuple\ncomes from the i-th iterable argument to zip().\n\n"
              "It ends with the shortest; if strict is true, unequal lengths are a\nValueError.\n\n"
              "   >>> list(zip('abcdefg', range(3), range(4)))\n   [('a', 0, 0), ('b', 1, 1), ('c', 2, 2)]",
    ITERATOR_SLOTS(zip),
};

/* ---- map ------------------------------------------------------------------------------------------------------------------------ */

typedef struct Map {
    PyObject_HEAD
    PyObject *iterators;                      /* tuple */
    PyObject *function;
} Map;

#define MAP(o) ((Map *)(o))

static PyObject *map_make(PyTypeObject *type, PyObject *const *args, Py_ssize_t n)
{
    if (n < 2) {
        PyErr_SetString(PyExc_TypeError, "map() must have at least two arguments.");
        return NULL;
    }
    PyObject *iterators = PyTuple_New(n - 1);
    if (!iterators) return NULL;
    for (Py_ssize_t i = 0; i < n - 1; i++) {
        PyObject *it = PyObject_GetIter(args[i + 1]);
        if (!it) goto fail;
        PyTuple_SET_ITEM(iterators, i, it);
    }
    Map *m = (Map *)type->tp_alloc(type, 0);
    if (!m) goto fail;
    m->iterators = iterators;
    m->function = Py_NewRef(args[0]);
    return OBJECT(m);
fail:
    Py_DECREF(iterators);
    return NULL;
}

static PyObject *map_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    if ((type == &PyMap_Type || type->tp_init == PyMap_Type.tp_init) && refuse_keywords("map", kwargs) < 0) return NULL;
    return map_make(type, ((PyTupleObject *)args)->ob_item, PyTuple_GET_SIZE(args));
}

static PyObject *map_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    if (kwnames && PyTuple_GET_SIZE(kwnames)) {
        PyErr_SetString(PyExc_TypeError, "map() takes no keyword arguments");
        return NULL;
    }
    return map_make((PyTypeObject *)type, args, PyVectorcall_NARGS(nargsf));
}

static void map_dealloc(PyObject *o)
{
    PyObject_GC_UnTrack(o);
    Py_XDECREF(MAP(o)->iterators);
    Py_XDECREF(MAP(o)->function);
    Py_TYPE(o)->tp_free(o);
}

static int map_traverse(PyObject *o, visitproc visit, void *arg)
{
    Py_VISIT(MAP(o)->iterators);
    Py_VISIT(MAP(o)->function);
    return 0;
}

static PyObject *map_next(PyObject *o)
{
    enum { ON_STACK = 6 };
    Map *m = MAP(o);
    PyObject *small[ON_STACK], **args = small, *result = NULL;
    Py_ssize_t n = PyTuple_GET_SIZE(m->iterators), got = 0;
    if (stack_check() < 0) return NULL;
    if (UNLIKELY(n > ON_STACK) && !(args = PyMem_Malloc((size_t)n * sizeof(PyObject *)))) return PyErr_NoMemory();
    for (; got < n; got++) {
        PyObject *it = PyTuple_GET_ITEM(m->iterators, got);
        if (!(args[got] = Py_TYPE(it)->tp_iternext(it))) goto done;
    }
    result = PyObject_Vectorcall(m->function, args, (size_t)n, NULL);
done:
    while (--got >= 0) Py_DECREF(args[got]);
    if (args != small) PyMem_Free(args);
    return result;
}

BUILTIN_NOARGS(map, __reduce__, "($self, /)", "Return state information for pickling.")
{
    Py_ssize_t n = PyTuple_GET_SIZE(MAP(self)->iterators);
    PyObject *args = PyTuple_New(n + 1);
    if (!args) return NULL;
    PyTuple_SET_ITEM(args, 0, Py_NewRef(MAP(self)->function));
    for (Py_ssize_t i = 0; i < n; i++) PyTuple_SET_ITEM(args, i + 1, Py_NewRef(PyTuple_GET_ITEM(MAP(self)->iterators, i)));
    return Py_BuildValue("ON", Py_TYPE(self), args);
}

static PyMethodDef map_methods[] = { METHOD(map, __reduce__), { 0 } };

PyTypeObject PyMap_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "map",
    .tp_basicsize = sizeof(Map),
    .tp_doc = "map(function, iterable, /, *iterables)\n--\n\nMake an iterator that computes the function using arguments from\n"
              "each of the iterables.  Stops when the shortest iterable is exhausted.",
    ITERATOR_SLOTS(map),
    .tp_vectorcall = map_vectorcall,
};

/* ---- filter --------------------------------------------------------------------------------------------------------------------------- */

typedef struct Filter {
    PyObject_HEAD
    PyObject *function, *iterator;
} Filter;

#define FILTER(o) ((Filter *)(o))

SIGNATURE(filter_signature, "filter", POSITIONAL, "(function, iterable, /)");

static PyObject *filter_make(PyTypeObject *type, PyObject *const *arg)
{
    PyObject *it = PyObject_GetIter(arg[1]);
    Filter *f = it ? (Filter *)type->tp_alloc(type, 0) : NULL;
    if (!f) {
        Py_XDECREF(it);
        return NULL;
    }
    f->function = Py_NewRef(arg[0]);
    f->iterator = it;
    return OBJECT(f);
}

static PyObject *filter_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *arg[2];
    if (type != &PyFilter_Type && type->tp_init != PyFilter_Type.tp_init) kwargs = NULL;
    if (args_bind_tuple(&filter_signature, args, kwargs && PyDict_GET_SIZE(kwargs) ? kwargs : NULL, arg) < 0) return NULL;
    return filter_make(type, arg);
}

static PyObject *filter_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    PyObject *arg[2];
    if (args_bind(&filter_signature, args, PyVectorcall_NARGS(nargsf), kwnames && PyTuple_GET_SIZE(kwnames) ? kwnames : NULL, arg) < 0)
        return NULL;
    return filter_make((PyTypeObject *)type, arg);
}

static void filter_dealloc(PyObject *o)
{
    PyObject_GC_UnTrack(o);
    Py_XDECREF(FILTER(o)->function);
    Py_XDECREF(FILTER(o)->iterator);
    Py_TYPE(o)->tp_free(o);
}

static int filter_traverse(PyObject *o, visitproc visit, void *arg)
{
    Py_VISIT(FILTER(o)->function);
    Py_VISIT(FILTER(o)->iterator);
    return 0;
}

static PyObject *filter_next(PyObject *o)
{
    Filter *f = FILTER(o);
    iternextfunc next = Py_TYPE(f->iterator)->tp_iternext;
    bool by_truth = f->function == Py_None || f->function == OBJECT(&PyBool_Type);
    PyObject *item;
    if (stack_check() < 0) return NULL;
    while ((item = next(f->iterator))) {
        int keep;
        if (by_truth) keep = PyObject_IsTrue(item);
        else {
            PyObject *verdict = PyObject_CallOneArg(f->function, item);
            keep = verdict ? PyObject_IsTrue(verdict) : -1;
            Py_XDECREF(verdict);
        }
        if (keep > 0) return item;
        Py_DECREF(item);
        if (keep < 0) return NULL;
    }
    return NULL;
}

BUILTIN_NOARGS(filter, __reduce__, "($self, /)", "Return state information for pickling.")
{
    return Py_BuildValue("O(OO)", Py_TYPE(self), FILTER(self)->function, FILTER(self)->iterator);
}

static PyMethodDef filter_methods[] = { METHOD(filter, __reduce__), { 0 } };

PyTypeObject PyFilter_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "filter",
    .tp_basicsize = sizeof(Filter),
    .tp_doc = "filter(function, iterable, /)\n--\n\nReturn an iterator yielding those items of iterable for which function(item)\n"
              "is true. If function is None, return the items that are true.",
    ITERATOR_SLOTS(filter),
    .tp_vectorcall = filter_vectorcall,
};
