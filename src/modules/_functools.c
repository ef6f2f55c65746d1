/* _functools: reduce, cmp_to_key and the module. partial is in _functools_partial.c, lru_cache in _functools_cache.c. */
#include "modules/_functools.h"

#include "capi/args.h"

#include <structmember.h>

/* ---- cmp_to_key ------------------------------------------------------------------------------------------------------------ */

typedef struct Key {
    PyObject_HEAD
    PyObject *compare, *object;               /* object NULL: what cmp_to_key returns, to be called with an object */
} Key;

static int key_traverse(PyObject *o, visitproc visit, void *arg)
{
    VISIT_TYPE(o);
    Py_VISIT(((Key *)o)->compare);
    Py_VISIT(((Key *)o)->object);
    return 0;
}

static int key_clear(PyObject *o)
{
    Py_CLEAR(((Key *)o)->compare);
    Py_CLEAR(((Key *)o)->object);
    return 0;
}

static void key_dealloc(PyObject *o)
{
    PyObject_GC_UnTrack(o);
    key_clear(o);
    free_instance(o);
}

static PyObject *key_make(PyTypeObject *type, PyObject *compare, PyObject *object)
{
    Key *key = PyObject_GC_New(Key, type);
    if (!key) return NULL;
    key->compare = Py_NewRef(compare);
    key->object = Py_XNewRef(object);
    PyObject_GC_Track(key);
    return (PyObject *)key;
}

SIGNATURE(key_signature, "K", KEYWORDS, "(obj)");

static PyObject *key_call(PyObject *self, PyObject *args, PyObject *kwargs)
{
    PyObject *arg[1];
    if (args_bind_tuple(&key_signature, args, kwargs, arg) < 0) return NULL;
    return key_make(Py_TYPE(self), ((Key *)self)->compare, arg[0]);
}

static PyObject *key_richcompare(PyObject *a, PyObject *b, int op)
{
    if (!Py_IS_TYPE(b, Py_TYPE(a))) {
        PyErr_Format(PyExc_TypeError, "other argument must be K instance");
        return NULL;
    }
    Key *x = (Key *)a, *y = (Key *)b;
    if (!x->object || !y->object) {
        PyErr_Format(PyExc_AttributeError, "object");
        return NULL;
    }
    PyObject *args[2] = { x->object, y->object }, *zero = PyLong_FromLong(0), *answer = NULL;
    PyObject *order = zero ? PyObject_Vectorcall(x->compare, args, 2, NULL) : NULL;
    if (order) answer = PyObject_RichCompare(order, zero, op);
    Py_XDECREF(order);
    Py_XDECREF(zero);
    return answer;
}

static PyMemberDef key_members[] = {
    { "obj", _Py_T_OBJECT, offsetof(Key, object), 0, "Value wrapped by a key function." },
    { 0 },
};

static PyObject *key_text_signature(PyObject *Py_UNUSED(self), void *Py_UNUSED(closure)) { return PyUnicode_FromString("(obj)"); }
static PyGetSetDef key_getset[] = { { "__text_signature__", key_text_signature, NULL, NULL, NULL }, { 0 } };

static PyType_Slot key_slots[] = {
    SLOT(tp_dealloc, key_dealloc), SLOT(tp_call, key_call), SLOT(tp_getattro, PyObject_GenericGetAttr), SLOT(tp_traverse, key_traverse),
    SLOT(tp_clear, key_clear), SLOT(tp_richcompare, key_richcompare), SLOT(tp_members, key_members),
    SLOT(tp_getset, key_getset), { 0, NULL },
};
static PyType_Spec key_spec = {
    "functools.KeyWrapper", sizeof(Key), 0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE, key_slots,
};

BUILTIN(functools, cmp_to_key, KEYWORDS, "($module, /, mycmp)", "Convert a cmp= function into a key= function.")
{
    FunctoolsState *state = PyModule_GetState(self);
    return key_make(state->key_type, arg[0], NULL);
}

/* ---- reduce ------------------------------------------------------------------------------------------------------------------ */

static PyObject *functools_reduce(PyObject *Py_UNUSED(self), PyObject *const *args, Py_ssize_t nargs)
{
    if (check_count("reduce", nargs, 2, 3) < 0) return NULL;
    PyObject *function = args[0], *result = nargs == 3 ? Py_NewRef(args[2]) : NULL, *it = PyObject_GetIter(args[1]), *item;
    if (!it) {
        if (PyErr_ExceptionMatches(PyExc_TypeError)) PyErr_SetString(PyExc_TypeError, "reduce() arg 2 must support iteration");
        Py_XDECREF(result);
        return NULL;
    }
    while ((item = PyIter_Next(it))) {
        if (!result) {
            result = item;
            continue;
        }
        PyObject *pair[3] = { NULL, result, item };
        PyObject *next = PyObject_Vectorcall(function, pair + 1, 2 | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
        Py_DECREF(result);
        Py_DECREF(item);
        if (!(result = next)) {
            Py_DECREF(it);
            return NULL;
        }
    }
    Py_DECREF(it);
    if (PyErr_Occurred()) Py_CLEAR(result);
    else if (!result) PyErr_SetString(PyExc_TypeError, "reduce() of empty iterable with no initial value");
    return result;
}

static const char functools_reduce_doc[] =
    "reduce(function, iterable[, initial], /) -> value\n\nApply a function of two arguments to the items of iterable, from left to right,\n"
    "so as to reduce it to one value. initial stands before the items, and is the\nresult for an empty iterable.";

/* ---- module -------------------------------------------------------------------------------------------------------------------- */

static PyMethodDef functools_methods[] = {
    { "reduce", (PyCFunction)(void (*)(void))functools_reduce, METH_FASTCALL | METH_BARE_NAME, functools_reduce_doc },
    METHOD(functools, cmp_to_key), { 0 },
};

static int functools_exec(PyObject *module)
{
    FunctoolsState *state = PyModule_GetState(module);
    if (!(state->keyword_mark = PyObject_CallNoArgs((PyObject *)&PyBaseObject_Type))) return -1;
    if (module_add_type(module, &partial_spec, NULL) < 0 || module_add_type(module, &lru_cache_spec, NULL) < 0) return -1;
    if (!(state->key_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &key_spec, NULL))) return -1;
    if (!(state->link_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &lru_link_spec, NULL))) return -1;
    return 0;
}

static int functools_traverse(PyObject *module, visitproc visit, void *arg)
{
    FunctoolsState *state = PyModule_GetState(module);
    Py_VISIT(state->key_type);
    Py_VISIT(state->link_type);
    Py_VISIT(state->keyword_mark);
    return 0;
}

static int functools_clear(PyObject *module)
{
    FunctoolsState *state = PyModule_GetState(module);
    Py_CLEAR(state->key_type);
    Py_CLEAR(state->link_type);
    Py_CLEAR(state->keyword_mark);
    return 0;
}

static void functools_free(void *module) { functools_clear(module); }

static PyModuleDef_Slot functools_slots[] = { SLOT(mod_exec, functools_exec), MODULE_SLOTS_COMMON, { 0, NULL } };

struct PyModuleDef functools_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_functools",
    .m_doc = "Tools that operate on functions.",
    .m_size = sizeof(FunctoolsState),
    .m_methods = functools_methods,
    .m_slots = functools_slots,
    .m_traverse = functools_traverse,
    .m_clear = functools_clear,
    .m_free = functools_free,
};

PyMODINIT_FUNC PyInit__functools(void) { return PyModuleDef_Init(&functools_module); }
