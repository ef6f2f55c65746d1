/* builtins: what consumes or makes iterators: all, any, sum, min, max, sorted, next, iter, aiter, anext. */
#include "builtins_private.h"
#include "objects/float.h"
#include "objects/long.h"

#include <math.h>

/* Is there an element whose truth is `wanted`? 0, 1 or -1. */
static int any_with_truth(PyObject *iterable, int wanted)
{
    PyObject *item, *it = PyObject_GetIter(iterable);
    if (!it) return -1;
    iternextfunc next = Py_TYPE(it)->tp_iternext;
    int found = 0;
    while (!found && (item = next(it))) {
        int truth = PyObject_IsTrue(item);
        Py_DECREF(item);
        found = truth < 0 ? -1 : truth == wanted;
    }
    Py_DECREF(it);
    if (!found && PyErr_Occurred()) {
        if (!PyErr_ExceptionMatches(PyExc_StopIteration)) return -1;
        PyErr_Clear();
    }
    return found;
}

BUILTIN_O(builtins, all, "($module, iterable, /)", "Return True if bool(x) is True for all values x in the iterable.")
{
    int found = any_with_truth(arg, 0);
    return found < 0 ? NULL : PyBool_FromLong(!found);
}

BUILTIN_O(builtins, any, "($module, iterable, /)", "Return True if bool(x) is True for any x in the iterable.")
{
    int found = any_with_truth(arg, 1);
    return found < 0 ? NULL : PyBool_FromLong(found);
}

/* ---- sum ---------------------------------------------------------------------------------------------------------------------- */

/* A running sum of doubles with the lost low-order bits kept apart (Neumaier's variant of Kahan's summation). */
typedef struct ExactSum { double high, low; } ExactSum;

static inline void exact_add(ExactSum *s, double x)
{
    double t = s->high + x;
    s->low += fabs(s->high) >= fabs(x) ? (s->high - t) + x : (x - t) + s->high;
    s->high = t;
}

static double exact_value(const ExactSum *s) { return s->low && isfinite(s->low) ? s->high + s->low : s->high; }

/* Steals total. Sums on with PyNumber_Add. */
static PyObject *sum_objects(PyObject *it, PyObject *total)
{
    PyObject *item;
    while (total && (item = PyIter_Next(it))) {
        PyObject *next = PyNumber_Add(total, item);
        Py_DECREF(item);
        Py_SETREF(total, next);
    }
    if (PyErr_Occurred()) Py_CLEAR(total);
    return total;
}

/* The item did not fit the fast loop: add it to what there is and go on slowly. Steals both. */
static PyObject *sum_on(PyObject *it, PyObject *total, PyObject *item)
{
    PyObject *next = total ? PyNumber_Add(total, item) : NULL;
    Py_XDECREF(total);
    Py_DECREF(item);
    return sum_objects(it, next);
}

/* tp_iternext gave NULL: 0 when that was the end, -1 with an exception. */
static int sum_ended(void)
{
    if (LIKELY(!PyErr_Occurred())) return 0;
    if (!PyErr_ExceptionMatches(PyExc_StopIteration)) return -1;
    PyErr_Clear();
    return 0;
}

static PyObject *sum_doubles(PyObject *it, double start)
{
    ExactSum sum = { start, 0.0 };
    iternextfunc next = Py_TYPE(it)->tp_iternext;
    PyObject *item;
    while ((item = next(it))) {
        if (LIKELY(PyFloat_CheckExact(item))) {
            exact_add(&sum, PyFloat_AS_DOUBLE(item));
            if (Py_REFCNT(item) == 1) {
                float_dealloc_exact(item);
                continue;
            }
        }
        else if (PyLong_Check(item)) {
            int overflow;
            long value = PyLong_AsLongAndOverflow(item, &overflow);
            if (overflow) return sum_on(it, PyFloat_FromDouble(exact_value(&sum)), item);
            sum.high += (double)value;
        }
        else return sum_on(it, PyFloat_FromDouble(exact_value(&sum)), item);
        Py_DECREF(item);
    }
    return sum_ended() < 0 ? NULL : PyFloat_FromDouble(exact_value(&sum));
}

static PyObject *sum_integers(PyObject *it, long start)
{
    long total = start, value;
    iternextfunc next_item = Py_TYPE(it)->tp_iternext;
    PyObject *item;
    while ((item = next_item(it))) {
        int overflow = 0;
        if (LIKELY(PyLong_CheckExact(item) && long_is_short(LONG(item)) &&
                   !__builtin_add_overflow(total, (long)long_short_value(LONG(item)), &value))) {
            total = value;
            if (Py_REFCNT(item) == 1) long_dealloc_exact(item);
            else Py_DECREF(item);
            continue;
        }
        if (PyLong_CheckExact(item) || PyBool_Check(item)) {
            value = PyLong_AsLongAndOverflow(item, &overflow);
            if (!overflow && !__builtin_add_overflow(total, value, &value)) {
                total = value;
                Py_DECREF(item);
                continue;
            }
        }
        PyObject *so_far = PyLong_FromLong(total), *next = so_far ? PyNumber_Add(so_far, item) : NULL;
        Py_XDECREF(so_far);
        Py_DECREF(item);
        if (next && PyFloat_CheckExact(next)) {
            double d = PyFloat_AS_DOUBLE(next);
            Py_DECREF(next);
            return sum_doubles(it, d);
        }
        return sum_objects(it, next);
    }
    return sum_ended() < 0 ? NULL : PyLong_FromLong(total);
}

BUILTIN(builtins, sum, KEYWORDS, "($module, iterable, /, start=0)", "Return the sum of a 'start' value (default: 0) plus an iterable of numbers.")
{
    PyObject *start = arg[1], *result, *it = PyObject_GetIter(arg[0]);
    int overflow = 0;
    if (!it) return NULL;
    if (start) {
        const char *what = PyUnicode_Check(start) ? "strings [use ''.join(seq) instead]" : PyBytes_Check(start) ? "bytes [use b''.join(seq) instead]"
                           : PyByteArray_Check(start) ? "bytearray [use b''.join(seq) instead]" : NULL;
        if (what) {
            Py_DECREF(it);
            return PyErr_Format(PyExc_TypeError, "sum() can't sum %s", what);
        }
    }
    long n = !start ? 0 : PyLong_CheckExact(start) ? PyLong_AsLongAndOverflow(start, &overflow) : -1;
    if (!start || (PyLong_CheckExact(start) && !overflow)) result = sum_integers(it, n);
    else if (PyFloat_CheckExact(start)) result = sum_doubles(it, PyFloat_AS_DOUBLE(start));
    else result = sum_objects(it, Py_NewRef(start));
    Py_DECREF(it);
    return result;
}

/* ---- min and max ------------------------------------------------------------------------------------------------------------------- */

PyObject *builtins_reject_keywords(const char *function, PyObject *names, PyObject *keywords)
{
    if (names) args_reject_keywords(function, names, keywords);
    Py_XDECREF(names);
    return NULL;
}

static PyObject *extreme(const char *name, int op, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    PyObject *key = NULL, *otherwise = NULL, *it = NULL, *best = NULL, *best_key = NULL, *item;
    if (nargs == 0) return PyErr_Format(PyExc_TypeError, "%s expected at least 1 argument, got 0", name);
    if (kwnames && PyTuple_GET_SIZE(kwnames) > 2)
        return PyErr_Format(PyExc_TypeError, "%s() takes at most 2 keyword arguments (%zd given)", name, PyTuple_GET_SIZE(kwnames));
    for (Py_ssize_t k = 0; kwnames && k < PyTuple_GET_SIZE(kwnames); k++) {
        PyObject *keyword = PyTuple_GET_ITEM(kwnames, k);
        if (PyUnicode_EqualToUTF8(keyword, "key")) key = args[nargs + k];
        else if (PyUnicode_EqualToUTF8(keyword, "default")) otherwise = args[nargs + k];
        else return builtins_reject_keywords(name, Py_BuildValue("[ss]", "key", "default"), kwnames);
    }
    if (nargs > 1 && otherwise) return PyErr_Format(PyExc_TypeError, "Cannot specify a default for %s() with multiple positional arguments", name);
    if (key == Py_None) key = NULL;
    if (nargs == 1 && !(it = PyObject_GetIter(args[0]))) return NULL;
    for (Py_ssize_t i = 0;; i++) {
        if (it) item = PyIter_Next(it);
        else item = i < nargs ? Py_NewRef(args[i]) : NULL;
        if (!item) {
            if (PyErr_Occurred()) goto fail;
            break;
        }
        PyObject *value = key ? PyObject_CallOneArg(key, item) : Py_NewRef(item);
        int better = !value ? -1 : !best ? 1 : PyObject_RichCompareBool(value, best_key, op);
        if (better > 0) {
            Py_XSETREF(best, item);
            Py_XSETREF(best_key, value);
            continue;
        }
        Py_XDECREF(value);
        Py_DECREF(item);
        if (better < 0) goto fail;
    }
    Py_XDECREF(it);
    Py_XDECREF(best_key);
    if (best) return best;
    if (otherwise) return Py_NewRef(otherwise);
    return PyErr_Format(PyExc_ValueError, "%s() iterable argument is empty", name);
fail:
    Py_XDECREF(it);
    Py_XDECREF(best);
    Py_XDECREF(best_key);
    return NULL;
}

static PyObject *builtins_min(PyObject *module, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    return extreme("min", Py_LT, args, nargs, kwnames);
}

static PyObject *builtins_max(PyObject *module, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    return extreme("max", Py_GT, args, nargs, kwnames);
}

BUILTIN_RAW(builtins, sorted, "($module, iterable, /, *, key=None, reverse=False)",
            "Return a new list containing all items from the iterable in ascending order.")
{
    if (nargs != 1) return PyErr_Format(PyExc_TypeError, "sorted expected 1 argument, got %zd", nargs);
    PyObject *list = PySequence_List(args[0]), *sort = list ? PyObject_GetAttr(list, STR(sort)) : NULL, *result = NULL;
    if (sort) result = PyObject_Vectorcall(sort, args + 1, 0, kwnames);
    Py_XDECREF(sort);
    if (!result) Py_CLEAR(list);
    Py_XDECREF(result);
    return list;
}

/* ---- iterators ------------------------------------------------------------------------------------------------------------------------ */

static PyObject *builtins_next(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    if (nargs < 1 || nargs > 2)
        return PyErr_Format(PyExc_TypeError, nargs < 1 ? "next expected at least 1 argument, got %zd" : "next expected at most 2 arguments, got %zd", nargs);
    PyObject *it = args[0];
    if (!PyIter_Check(it)) return PyErr_Format(PyExc_TypeError, "'%.200s' object is not an iterator", Py_TYPE(it)->tp_name);
    PyObject *item = Py_TYPE(it)->tp_iternext(it);
    if (item) return item;
    if (nargs > 1) {
        if (PyErr_Occurred()) {
            if (!PyErr_ExceptionMatches(PyExc_StopIteration)) return NULL;
            PyErr_Clear();
        }
        return Py_NewRef(args[1]);
    }
    if (!PyErr_Occurred()) PyErr_SetNone(PyExc_StopIteration);
    return NULL;
}

static PyObject *builtins_iter(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    if (nargs < 1 || nargs > 2)
        return PyErr_Format(PyExc_TypeError, nargs < 1 ? "iter expected at least 1 argument, got %zd" : "iter expected at most 2 arguments, got %zd", nargs);
    if (nargs == 1) return PyObject_GetIter(args[0]);
    if (!PyCallable_Check(args[0])) return PyErr_Format(PyExc_TypeError, "iter(v, w): v must be callable");
    return PyCallIter_New(args[0], args[1]);
}

BUILTIN_O(builtins, aiter, "($module, async_iterable, /)", "Return an AsyncIterator for an AsyncIterable object.") { return PyObject_GetAIter(arg); }

BUILTIN(builtins, anext, POSITIONAL, "($module, aiterator, default=<unrepresentable>, /)",
        "Return the next item from the async iterator, or default when it is exhausted.")
{
    PyTypeObject *type = Py_TYPE(arg[0]);
    if (!type->tp_as_async || !type->tp_as_async->am_anext)
        return PyErr_Format(PyExc_TypeError, "'%.200s' object is not an async iterator", type->tp_name);
    PyObject *awaitable = type->tp_as_async->am_anext(arg[0]);
    if (!awaitable || !arg[1]) return awaitable;
    PyObject *with_default = anext_awaitable_new(awaitable, arg[1]);
    Py_DECREF(awaitable);
    return with_default;
}

PyMethodDef builtins_iteration_methods[] = {
    METHOD(builtins, all), METHOD(builtins, any), METHOD(builtins, sum), METHOD(builtins, sorted), METHOD(builtins, aiter), METHOD(builtins, anext),
    { "next", (PyCFunction)(void (*)(void))builtins_next, METH_FASTCALL,
      "next(iterator[, default])\n\nReturn the next item from the iterator; default, if given, when it is exhausted." },
    { "iter", (PyCFunction)(void (*)(void))builtins_iter, METH_FASTCALL,
      "iter(iterable) -> iterator\niter(callable, sentinel) -> iterator\n\nGet an iterator from an object, or one that calls until sentinel comes." },
    { "min", (PyCFunction)(void (*)(void))builtins_min, METH_FASTCALL | METH_KEYWORDS,
      "min(iterable, *[, default=obj, key=func]) -> value\nmin(arg1, arg2, *args, *[, key=func]) -> value\n\nThe smallest item or argument." },
    { "max", (PyCFunction)(void (*)(void))builtins_max, METH_FASTCALL | METH_KEYWORDS,
      "max(iterable, *[, default=obj, key=func]) -> value\nmax(arg1, arg2, *args, *[, key=func]) -> value\n\nThe biggest item or argument." },
    { 0 }
};
