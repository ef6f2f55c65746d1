/* The parts of itertools. */
#ifndef TAIPAN_MODULES_ITERTOOLS_H
#define TAIPAN_MODULES_ITERTOOLS_H

#include "runtime/state.h"
#include "modules/support.h"

/* The types, each with a spec of its own: first those that no C code but their methods names. */
#define ITERTOOLS_TYPES(X) \
    X(accumulate) X(batched) X(chain) X(combinations) X(compress) X(count) X(combinations_with_replacement) X(cycle) X(dropwhile) \
    X(filterfalse) X(groupby) X(_grouper) X(islice) X(pairwise) X(permutations) X(product) X(repeat) X(starmap) X(takewhile) \
    X(_tee) X(_tee_dataobject) X(zip_longest)

#define X(name) extern PyType_Spec name##_spec;
ITERTOOLS_TYPES(X)
#undef X

typedef struct ItertoolsState {
#define X(name) PyTypeObject *name;
    ITERTOOLS_TYPES(X)
#undef X
} ItertoolsState;

extern struct PyModuleDef itertools_module;
PyObject *itertools_tee(PyObject *module, PyObject *const *args, Py_ssize_t nargs);
extern const char itertools_tee_doc[];

static inline ItertoolsState *itertools_state_of(PyTypeObject *type)
{
    PyObject *module = PyType_GetModuleByDef(type, &itertools_module);
    return module ? (ItertoolsState *)PyModule_GetState(module) : NULL;
}

/* 0, or -1 when the warning about pickling is an error. */
int itertools_warn_pickle(void);

static inline PyObject *iterator_next(PyObject *it) { return stack_check() < 0 ? NULL : Py_TYPE(it)->tp_iternext(it); }

/* Types without parameters by keyword refuse them, but for subclasses with an __init__ of their own. */
static inline int no_keywords(PyTypeObject *type, const char *name, PyObject *kwargs)
{
    return type->tp_init == PyBaseObject_Type.tp_init ? refuse_keywords(name, kwargs) : 0;
}

/* tp_traverse, tp_clear and tp_dealloc of a type whose struct has the object fields listed. */
#define FIELDS_1(X, a) X(a)
#define FIELDS_2(X, a, b) X(a) X(b)
#define FIELDS_3(X, a, b, c) X(a) X(b) X(c)
#define FIELDS_4(X, a, b, c, d) X(a) X(b) X(c) X(d)
#define FIELDS_5(X, a, b, c, d, e) X(a) X(b) X(c) X(d) X(e)
#define VISIT_FIELD(name) Py_VISIT(self->name);
#define CLEAR_FIELD(name) Py_CLEAR(self->name);
#define DEFINE_LIFE(prefix, Struct, n, release, ...)                                                                    \
    static int prefix##_traverse(PyObject *o, visitproc visit, void *arg)                                               \
    {                                                                                                                   \
        Struct *self = (Struct *)o;                                                                                     \
        VISIT_TYPE(o);                                                                                                  \
        FIELDS_##n(VISIT_FIELD, __VA_ARGS__)                                                                            \
        return 0;                                                                                                       \
    }                                                                                                                   \
    static int prefix##_clear(PyObject *o)                                                                              \
    {                                                                                                                   \
        Struct *self = (Struct *)o;                                                                                     \
        FIELDS_##n(CLEAR_FIELD, __VA_ARGS__)                                                                            \
        return 0;                                                                                                       \
    }                                                                                                                   \
    static void prefix##_dealloc(PyObject *o)                                                                           \
    {                                                                                                                   \
        Struct *self = (Struct *)o;                                                                                     \
        PyObject_GC_UnTrack(o);                                                                                         \
        prefix##_clear(o);                                                                                              \
        release;                                                                                                        \
        (void)self;                                                                                                     \
        free_instance(o);                                                                                               \
    }

#define ITERTOOL_FLAGS (Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_IMMUTABLETYPE)
#define HELPER_FLAGS (Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE)
#define COMMON_SLOTS(prefix)                                                                                            \
    SLOT(tp_dealloc, prefix##_dealloc), SLOT(tp_getattro, PyObject_GenericGetAttr), SLOT(tp_traverse, prefix##_traverse), \
    SLOT(tp_clear, prefix##_clear), SLOT(tp_new, prefix##_new), SLOT(tp_free, PyObject_GC_Del)
#define ITERATOR_SLOTS(prefix) \
    COMMON_SLOTS(prefix), SLOT(tp_iter, PyObject_SelfIter), SLOT(tp_iternext, prefix##_next), SLOT(tp_methods, prefix##_methods)
#define DEFINE_SPEC(name, Struct, flags, ...)                                                                           \
    static PyType_Slot name##_slots[] = { __VA_ARGS__, { 0, NULL } };                                                   \
    PyType_Spec name##_spec = { "itertools." #name, sizeof(Struct), 0, flags, name##_slots };

#define REDUCE(owner) BUILTIN_NOARGS(owner, __reduce__, "($self, /)", "Return state information for pickling.")
#define SETSTATE(owner) BUILTIN_O(owner, __setstate__, "($self, object, /)", "Set state information for unpickling.")
#define SIZEOF(owner) BUILTIN_NOARGS(owner, __sizeof__, "($self, /)", "Returns size in memory, in bytes.")

/* A tuple that is given out again and again: this one if nobody else has it, else a copy. Owned by the caller either way; *place
 * keeps the one to change next time. */
PyObject *itertools_reuse(PyObject **place);

#endif
