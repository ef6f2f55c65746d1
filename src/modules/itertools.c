/* itertools: the module. The types are in itertools_simple.c, itertools_slices.c, itertools_groups.c, itertools_combinatoric.c.
 *
 * Every iterator calls code while it steps, which may step it again: fields are read anew after such a call, and an iterator that is
 * called is held by whoever calls it. */
#include "modules/itertools.h"

int itertools_warn_pickle(void)
{
    return PyErr_WarnEx(PyExc_DeprecationWarning,
                        "Pickle, copy, and deepcopy support will be removed from itertools in Python 3.14.", 1);
}

PyObject *itertools_reuse(PyObject **place)
{
    PyObject *tuple = *place;
    if (Py_REFCNT(tuple) == 1) {
        if (!PyObject_GC_IsTracked(tuple)) PyObject_GC_Track(tuple);       /* the collector may have untracked it */
        return Py_NewRef(tuple);
    }
    Py_ssize_t n = PyTuple_GET_SIZE(tuple);
    PyObject *copy = PyTuple_New(n);
    if (!copy) return NULL;
    for (Py_ssize_t i = 0; i < n; i++) PyTuple_SET_ITEM(copy, i, Py_NewRef(PyTuple_GET_ITEM(tuple, i)));
    Py_SETREF(*place, copy);
    return Py_NewRef(copy);
}

static int itertools_exec(PyObject *module)
{
    ItertoolsState *state = PyModule_GetState(module);
#define X(name) if (module_add_type(module, &name##_spec, &state->name) < 0) return -1;
    ITERTOOLS_TYPES(X)
#undef X
    return 0;
}

static int itertools_traverse(PyObject *module, visitproc visit, void *arg)
{
    ItertoolsState *state = PyModule_GetState(module);
#define X(name) Py_VISIT(state->name);
    ITERTOOLS_TYPES(X)
#undef X
    return 0;
}

static int itertools_clear(PyObject *module)
{
    ItertoolsState *state = PyModule_GetState(module);
#define X(name) Py_CLEAR(state->name);
    ITERTOOLS_TYPES(X)
#undef X
    return 0;
}

static void itertools_free(void *module) { itertools_clear(module); }

static PyMethodDef itertools_methods[] = {
    { "tee", (PyCFunction)(void (*)(void))itertools_tee, METH_FASTCALL, itertools_tee_doc }, { 0 },
};

static PyModuleDef_Slot itertools_slots[] = { SLOT(mod_exec, itertools_exec), MODULE_SLOTS_COMMON, { 0, NULL } };

struct PyModuleDef itertools_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "itertools",
    .m_doc = "Functional tools for creating and using iterators.\n\nInfinite: count, cycle, repeat. Ending with the shortest input: accumulate,\n"
             "batched, chain, compress, dropwhile, filterfalse, groupby, islice, pairwise,\nstarmap, takewhile, tee, zip_longest. Combinatoric: product, permutations,\n"
             "combinations, combinations_with_replacement.",
    .m_size = sizeof(ItertoolsState),
    .m_methods = itertools_methods,
    .m_slots = itertools_slots,
    .m_traverse = itertools_traverse,
    .m_clear = itertools_clear,
    .m_free = itertools_free,
};

PyMODINIT_FUNC PyInit_itertools(void) { return PyModuleDef_Init(&itertools_module); }
