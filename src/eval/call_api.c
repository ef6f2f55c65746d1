/* PyObject_Call and its many sisters. All end in the vectorcall of the callable or in its tp_call. */
#include "eval/eval_private.h"
#include "capi/args.h"
#include "objects/function.h"
#include "objects/instance.h"
#include "runtime/errors.h"

#include <stdarg.h>

/* ---- results ------------------------------------------------------------------------------------------------------------- */

/* A C function returns a value or sets an exception, never both or neither. */
COLD NOINLINE static PyObject *result_fix(PyThreadState *ts, PyObject *callable, PyObject *result, const char *where)
{
    if (!result) {
        if (callable) PyErr_Format(PyExc_SystemError, "%R returned NULL without setting an exception", callable);
        else PyErr_Format(PyExc_SystemError, "%s returned NULL without setting an exception", where);
        return NULL;
    }
    Py_DECREF(result);
    if (callable) errors_format_from_cause(PyExc_SystemError, "%R returned a result with an exception set", callable);
    else errors_format_from_cause(PyExc_SystemError, "%s returned a result with an exception set", where);
    return NULL;
}

static ALWAYS_INLINE PyObject *result_check(PyThreadState *ts, PyObject *callable, PyObject *result, const char *where)
{
    if (LIKELY((result == NULL) == (ts->current_exception != NULL))) return result;
    return result_fix(ts, callable, result, where);
}

/* ---- keyword arguments in both forms ---------------------------------------------------------------------------------------- */

PyObject *_PyStack_AsDict(PyObject *const *values, PyObject *kwnames)
{
    PyObject *dict = PyDict_New();
    for (Py_ssize_t i = 0; dict && i < PyTuple_GET_SIZE(kwnames); i++)
        if (PyDict_SetItem(dict, PyTuple_GET_ITEM(kwnames, i), values[i]) < 0) Py_CLEAR(dict);
    return dict;
}

enum { SMALL_STACK = 6 };

/* Arguments and the dict's values in a row, kwnames NEW; the row is `small` or PyMem, with a free slot in front. NULL without an
 * exception: not all keywords are strings. */
static PyObject **stack_unpack(PyObject *const *args, Py_ssize_t nargs, PyObject *kwargs, PyObject **small, PyObject **kwnames)
{
    Py_ssize_t nkw = PyDict_GET_SIZE(kwargs);
    PyObject **row = small;
    if (nargs + nkw + 1 > SMALL_STACK && !(row = PyMem_Malloc((size_t)(nargs + nkw + 1) * sizeof(PyObject *)))) {
        PyErr_NoMemory();
        return NULL;
    }
    if (!(*kwnames = PyTuple_New(nkw))) {
        if (row != small) PyMem_Free(row);
        return NULL;
    }
    PyObject *key, *value;
    Py_ssize_t position = 0, i = 0;
    bool strings = true;
    for (Py_ssize_t a = 0; a < nargs; a++) row[1 + a] = Py_NewRef(args[a]);
    while (i < nkw && PyDict_Next(kwargs, &position, &key, &value)) {
        strings = strings && PyUnicode_Check(key);
        PyTuple_SET_ITEM(*kwnames, i, Py_NewRef(key));
        row[1 + nargs + i++] = Py_NewRef(value);
    }
    if (strings) return row + 1;
    for (Py_ssize_t a = 0; a < nargs + nkw; a++) Py_DECREF(row[1 + a]);
    if (row != small) PyMem_Free(row);
    Py_CLEAR(*kwnames);
    return NULL;
}

static void stack_release(PyObject **row, Py_ssize_t nargs, PyObject *kwnames, PyObject **small)
{
    for (Py_ssize_t i = 0, n = nargs + PyTuple_GET_SIZE(kwnames); i < n; i++) Py_DECREF(row[i]);
    if (row - 1 != small) PyMem_Free(row - 1);
    Py_DECREF(kwnames);
}

static PyObject *tuple_of(PyObject *const *args, Py_ssize_t n)
{
    PyObject *tuple = PyTuple_New(n);
    for (Py_ssize_t i = 0; tuple && i < n; i++) PyTuple_SET_ITEM(tuple, i, Py_NewRef(args[i]));
    return tuple;
}

/* ---- the two ways into a callable ------------------------------------------------------------------------------------------- */

static inline vectorcallfunc vectorcall_of(PyObject *callable)
{
    PyTypeObject *type = Py_TYPE(callable);
    if (!(type->tp_flags & Py_TPFLAGS_HAVE_VECTORCALL)) return NULL;
    vectorcallfunc call;
    memcpy(&call, (char *)callable + type->tp_vectorcall_offset, sizeof call);
    return call;
}

vectorcallfunc PyVectorcall_Function(PyObject *callable) { return vectorcall_of(callable); }
Py_ssize_t (PyVectorcall_NARGS)(size_t n) { return _PyVectorcall_NARGS(n); }

COLD NOINLINE static PyObject *not_callable(PyObject *callable)
{
    if (PyModule_Check(callable)) {                  /* `import x; x()` where x.x was meant */
        PyObject *name = PyModule_GetNameObject(callable), *attr = NULL;
        if (name && PyObject_GetOptionalAttr(callable, name, &attr) > 0 && PyCallable_Check(attr)) {
            PyErr_Format(PyExc_TypeError, "'%.200s' object is not callable. Did you mean: '%U.%U(...)'?", Py_TYPE(callable)->tp_name,
                         name, name);
            Py_DECREF(name);
            Py_DECREF(attr);
            return NULL;
        }
        Py_XDECREF(name);
        Py_XDECREF(attr);
        PyErr_Clear();
    }
    PyErr_Format(PyExc_TypeError, "'%.200s' object is not callable", Py_TYPE(callable)->tp_name);
    return NULL;
}

/* Through tp_call; keywords is a dict, a tuple of names (values behind the arguments), or NULL. */
static PyObject *call_with_tuple(PyThreadState *ts, PyObject *callable, PyObject *const *args, Py_ssize_t nargs, PyObject *keywords)
{
    ternaryfunc call = Py_TYPE(callable)->tp_call;
    if (!call) return not_callable(callable);
    PyObject *tuple = tuple_of(args, nargs), *dict = NULL, *result = NULL;
    if (!tuple) return NULL;
    if (keywords && PyDict_Check(keywords)) dict = Py_NewRef(keywords);
    else if (keywords && PyTuple_GET_SIZE(keywords) && !(dict = _PyStack_AsDict(args + nargs, keywords))) goto done;
    if (recursion_enter_c(ts, " while calling a Python object") == 0) {
        result = call(callable, tuple, dict);
        recursion_leave_c(ts);
        result = result_check(ts, callable, result, NULL);
    }
done:
    Py_DECREF(tuple);
    Py_XDECREF(dict);
    return result;
}

/* Keywords that are no strings are an error, but not everywhere the first to be found: where CPython has only tp_call, with a dict. */
COLD NOINLINE static PyObject *call_odd_keywords(PyThreadState *ts, PyObject *callable, PyObject *const *args, Py_ssize_t nargs, PyObject *kwargs)
{
    static PyTypeObject *const checked[] = {
        &PyBool_Type, &PyDict_Type, &PyEnum_Type, &PyFilter_Type, &PyFloat_Type, &PyFrozenSet_Type, &PyList_Type, &PyLong_Type, &PyMap_Type,
        &PyRange_Type, &PyReversed_Type, &PySet_Type, &PySuper_Type, &PyTuple_Type, &PyType_Type, &PyUnicode_Type,
    };
    if (PyErr_Occurred()) return NULL;               /* no memory */
    bool strict = !PyType_Check(callable);
    for (size_t i = 0; i < ARRAY_LENGTH(checked) && !strict; i++) strict = callable == (PyObject *)checked[i];
    if (!strict) return call_with_tuple(ts, callable, args, nargs, kwargs);
    if (PyCFunction_Check(callable) && (PyCFunction_GET_FLAGS(callable) & (METH_BARE_NAME | METH_KEYWORDS)) == METH_BARE_NAME)
        return function_refuse_keywords(callable);
    PyErr_SetString(PyExc_TypeError, "keywords must be strings");
    return NULL;
}

static ALWAYS_INLINE PyObject *vectorcall(PyThreadState *ts, PyObject *callable, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    vectorcallfunc call = vectorcall_of(callable);
    if (UNLIKELY(!call)) return call_with_tuple(ts, callable, args, PyVectorcall_NARGS(nargsf), kwnames);
    return result_check(ts, callable, call(callable, args, nargsf, kwnames), NULL);
}

PyObject *PyObject_Vectorcall(PyObject *callable, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    return vectorcall(PyThreadState_GET(), callable, args, nargsf, kwnames);
}

PyObject *PyObject_VectorcallDict(PyObject *callable, PyObject *const *args, size_t nargsf, PyObject *kwargs)
{
    PyThreadState *ts = PyThreadState_GET();
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    vectorcallfunc call = vectorcall_of(callable);
    if (!call) return call_with_tuple(ts, callable, args, nargs, kwargs);
    if (!kwargs || !PyDict_GET_SIZE(kwargs)) return result_check(ts, callable, call(callable, args, nargsf, NULL), NULL);
    PyObject *small[SMALL_STACK], *kwnames, **row = stack_unpack(args, nargs, kwargs, small, &kwnames);
    if (!row) return call_odd_keywords(ts, callable, args, nargs, kwargs);
    PyObject *result = call(callable, row, (size_t)nargs | PY_VECTORCALL_ARGUMENTS_OFFSET, kwnames);
    stack_release(row, nargs, kwnames, small);
    return result_check(ts, callable, result, NULL);
}

PyObject *PyVectorcall_Call(PyObject *callable, PyObject *tuple, PyObject *kwargs)
{
    PyThreadState *ts = PyThreadState_GET();
    Py_ssize_t offset = Py_TYPE(callable)->tp_vectorcall_offset;
    if (offset <= 0) {
        PyErr_Format(PyExc_TypeError, "'%.200s' object does not support vectorcall", Py_TYPE(callable)->tp_name);
        return NULL;
    }
    vectorcallfunc call;
    memcpy(&call, (char *)callable + offset, sizeof call);
    if (!call) {
        PyErr_Format(PyExc_TypeError, "'%.200s' object does not support vectorcall", Py_TYPE(callable)->tp_name);
        return NULL;
    }
    PyObject **args = ((PyTupleObject *)tuple)->ob_item;
    Py_ssize_t nargs = PyTuple_GET_SIZE(tuple);
    if (!kwargs || !PyDict_GET_SIZE(kwargs)) return result_check(ts, callable, call(callable, args, (size_t)nargs, NULL), NULL);
    PyObject *small[SMALL_STACK], *kwnames, **row = stack_unpack(args, nargs, kwargs, small, &kwnames);
    if (!row) return call_odd_keywords(ts, callable, args, nargs, kwargs);
    PyObject *result = call(callable, row, (size_t)nargs | PY_VECTORCALL_ARGUMENTS_OFFSET, kwnames);
    stack_release(row, nargs, kwnames, small);
    return result_check(ts, callable, result, NULL);
}

PyObject *PyObject_Call(PyObject *callable, PyObject *args, PyObject *kwargs)
{
    PyThreadState *ts = PyThreadState_GET();
    assert(PyTuple_Check(args) && (!kwargs || PyDict_Check(kwargs)));
    if (vectorcall_of(callable)) return PyVectorcall_Call(callable, args, kwargs);
    ternaryfunc call = Py_TYPE(callable)->tp_call;
    if (!call) return not_callable(callable);
    if (recursion_enter_c(ts, " while calling a Python object")) return NULL;
    PyObject *result = call(callable, args, kwargs);
    recursion_leave_c(ts);
    return result_check(ts, callable, result, NULL);
}

/* ---- few arguments ------------------------------------------------------------------------------------------------------------ */

PyObject *PyObject_CallNoArgs(PyObject *callable) { return vectorcall(PyThreadState_GET(), callable, NULL, 0, NULL); }

PyObject *PyObject_CallOneArg(PyObject *callable, PyObject *arg)
{
    PyObject *args[2] = {NULL, arg};
    return vectorcall(PyThreadState_GET(), callable, args + 1, 1 | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
}

PyObject *PyObject_CallObject(PyObject *callable, PyObject *args)
{
    if (!args) return PyObject_CallNoArgs(callable);
    if (!PyTuple_Check(args)) {
        PyErr_SetString(PyExc_TypeError, "argument list must be a tuple");
        return NULL;
    }
    return PyObject_Call(callable, args, NULL);
}

PyAPI_FUNC(PyObject *) PyEval_CallObjectWithKeywords(PyObject *callable, PyObject *args, PyObject *kwargs);
PyObject *PyEval_CallObjectWithKeywords(PyObject *callable, PyObject *args, PyObject *kwargs)
{
    if (args && !PyTuple_Check(args)) {
        PyErr_SetString(PyExc_TypeError, "argument list must be a tuple");
        return NULL;
    }
    if (kwargs && !PyDict_Check(kwargs)) {
        PyErr_SetString(PyExc_TypeError, "keyword list must be a dictionary");
        return NULL;
    }
    return args ? PyObject_Call(callable, args, kwargs) : PyObject_VectorcallDict(callable, NULL, 0, kwargs);
}

/* ---- arguments by format --------------------------------------------------------------------------------------------------------- */

COLD static PyObject *null_error(void)
{
    if (!PyErr_Occurred()) PyErr_SetString(PyExc_SystemError, "null argument to internal routine");
    return NULL;
}

/* Whatever Py_BuildValue makes: a tuple is the arguments, anything else the only one. */
static PyObject *call_format(PyThreadState *ts, PyObject *callable, const char *format, va_list va)
{
    if (!callable) return null_error();
    if (!format || !*format) return vectorcall(ts, callable, NULL, 0, NULL);
    PyObject *value = Py_VaBuildValue(format, va), *result;
    if (!value) return NULL;
    /* "(O)" and "O" mean the same; two or more items are the arguments */
    if (PyTuple_Check(value)) result = vectorcall(ts, callable, ((PyTupleObject *)value)->ob_item, (size_t)PyTuple_GET_SIZE(value), NULL);
    else result = PyObject_CallOneArg(callable, value);
    Py_DECREF(value);
    return result;
}

PyObject *PyObject_CallFunction(PyObject *callable, const char *format, ...)
{
    va_list va;
    va_start(va, format);
    PyObject *result = call_format(PyThreadState_GET(), callable, format, va);
    va_end(va);
    return result;
}

static PyObject *call_method_va(PyObject *o, PyObject *method, const char *format, va_list va)
{
    if (!method) return NULL;
    PyObject *result = NULL;
    if (!PyCallable_Check(method)) PyErr_Format(PyExc_TypeError, "attribute of type '%.200s' is not callable", Py_TYPE(method)->tp_name);
    else result = call_format(PyThreadState_GET(), method, format, va);
    Py_DECREF(method);
    return result;
}

PyObject *PyObject_CallMethod(PyObject *o, const char *name, const char *format, ...)
{
    if (!o || !name) return null_error();
    va_list va;
    va_start(va, format);
    PyObject *result = call_method_va(o, PyObject_GetAttrString(o, name), format, va);
    va_end(va);
    return result;
}

PyObject *_PyObject_CallMethodId(PyObject *o, _Py_Identifier *name, const char *format, ...)
{
    if (!o || !name) return null_error();
    va_list va;
    va_start(va, format);
    PyObject *result = call_method_va(o, _PyObject_GetAttrId(o, name), format, va);
    va_end(va);
    return result;
}

#define EXPORT_ALIAS(type, name) PyAPI_FUNC(type) name
EXPORT_ALIAS(PyObject *, _PyObject_CallFunction_SizeT)(PyObject *callable, const char *format, ...);
EXPORT_ALIAS(PyObject *, _PyObject_CallMethod_SizeT)(PyObject *o, const char *name, const char *format, ...);
EXPORT_ALIAS(PyObject *, PyEval_CallFunction)(PyObject *callable, const char *format, ...);
EXPORT_ALIAS(PyObject *, PyEval_CallMethod)(PyObject *o, const char *name, const char *format, ...);

PyObject *_PyObject_CallFunction_SizeT(PyObject *callable, const char *format, ...)
{
    va_list va;
    va_start(va, format);
    PyObject *result = call_format(PyThreadState_GET(), callable, format, va);
    va_end(va);
    return result;
}

PyObject *_PyObject_CallMethod_SizeT(PyObject *o, const char *name, const char *format, ...)
{
    if (!o || !name) return null_error();
    va_list va;
    va_start(va, format);
    PyObject *result = call_method_va(o, PyObject_GetAttrString(o, name), format, va);
    va_end(va);
    return result;
}

PyObject *PyEval_CallFunction(PyObject *callable, const char *format, ...)
{
    va_list va;
    va_start(va, format);
    PyObject *args = Py_VaBuildValue(format, va);
    va_end(va);
    PyObject *result = args ? PyEval_CallObjectWithKeywords(callable, args, NULL) : NULL;
    Py_XDECREF(args);
    return result;
}

PyObject *PyEval_CallMethod(PyObject *o, const char *name, const char *format, ...)
{
    PyObject *method = PyObject_GetAttrString(o, name);
    if (!method) return NULL;
    va_list va;
    va_start(va, format);
    PyObject *args = Py_VaBuildValue(format, va);
    va_end(va);
    PyObject *result = args ? PyEval_CallObjectWithKeywords(method, args, NULL) : NULL;
    Py_XDECREF(args);
    Py_DECREF(method);
    return result;
}

/* ---- a list of objects, NULL at the end ---------------------------------------------------------------------------------------------- */

/* base, when not NULL, goes first. */
static PyObject *call_va_objects(PyThreadState *ts, PyObject *base, PyObject *callable, va_list va)
{
    if (!callable) return null_error();
    PyObject *small[SMALL_STACK], **row = small;
    Py_ssize_t n = base != NULL;
    va_list count;
    va_copy(count, va);
    while (va_arg(count, PyObject *)) n++;
    va_end(count);
    if (n > SMALL_STACK && !(row = PyMem_Malloc((size_t)n * sizeof(PyObject *)))) return PyErr_NoMemory();
    Py_ssize_t i = 0;
    if (base) row[i++] = base;
    for (; i < n; i++) row[i] = va_arg(va, PyObject *);
    PyObject *result = vectorcall(ts, callable, row, (size_t)n, NULL);
    if (row != small) PyMem_Free(row);
    return result;
}

PyObject *PyObject_CallFunctionObjArgs(PyObject *callable, ...)
{
    va_list va;
    va_start(va, callable);
    PyObject *result = call_va_objects(PyThreadState_GET(), NULL, callable, va);
    va_end(va);
    return result;
}

PyObject *PyObject_CallMethodObjArgs(PyObject *o, PyObject *name, ...)
{
    if (!o || !name) return null_error();
    PyObject *method;
    int unbound = object_get_method(o, name, &method);
    if (!method) return NULL;
    va_list va;
    va_start(va, name);
    PyObject *result = call_va_objects(PyThreadState_GET(), unbound ? o : NULL, method, va);
    va_end(va);
    Py_DECREF(method);
    return result;
}

PyObject *PyObject_VectorcallMethod(PyObject *name, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    PyObject *method;
    int unbound = object_get_method(args[0], name, &method);
    if (!method) return NULL;
    if (unbound) nargsf &= ~PY_VECTORCALL_ARGUMENTS_OFFSET;      /* args[-1] may not be ours to change */
    else {
        args++;
        nargsf--;
    }
    PyObject *result = vectorcall(PyThreadState_GET(), method, args, nargsf, kwnames);
    Py_DECREF(method);
    return result;
}
