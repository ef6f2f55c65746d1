/* Small things that native modules need often. Stands on the public C API alone. */
#ifndef TAIPAN_MODULES_SUPPORT_H
#define TAIPAN_MODULES_SUPPORT_H

#include "capi/args.h"

/* Replaces a field before releasing what it held. */
#define SET_FIELD(place, value) do { PyObject *old_ = (PyObject *)(place); (place) = (value); Py_XDECREF(old_); } while (0)

/* After tp_iternext returned NULL: 0 when the iterator is exhausted (a StopIteration is cleared), -1 with an exception. */
static inline int iteration_ended(void)
{
    if (LIKELY(!PyErr_Occurred())) return 0;
    if (!PyErr_ExceptionMatches(PyExc_StopIteration)) return -1;
    PyErr_Clear();
    return 0;
}

/* -1 with "name() takes no keyword arguments". */
static inline int refuse_keywords(const char *name, PyObject *kwargs)
{
    if (LIKELY(!kwargs || PyDict_GET_SIZE(kwargs) == 0)) return 0;
    PyErr_Format(PyExc_TypeError, "%.200s() takes no keyword arguments", name);
    return -1;
}

static inline int refuse_keyword_names(const char *name, PyObject *kwnames)
{
    if (LIKELY(!kwnames || PyTuple_GET_SIZE(kwnames) == 0)) return 0;
    PyErr_Format(PyExc_TypeError, "%.200s() takes no keyword arguments", name);
    return -1;
}

/* -1 with "name expected at least 1 argument, got 0" and the like. */
static inline int check_count(const char *name, Py_ssize_t n, Py_ssize_t min, Py_ssize_t max)
{
    if (LIKELY(n >= min && n <= max)) return 0;
    Py_ssize_t limit = n < min ? min : max;
    PyErr_Format(PyExc_TypeError, "%.200s expected %s%zd argument%s, got %zd", name,
                 min == max ? "" : n < min ? "at least " : "at most ", limit, limit == 1 ? "" : "s", n);
    return -1;
}

/* Arguments that may be left out (NULL): a C int; a size, which __index__ may give. 0 or -1. */
static inline int int_argument(PyObject *o, int otherwise, int *value)
{
    *value = o ? PyLong_AsInt(o) : otherwise;
    return UNLIKELY(*value == -1) && PyErr_Occurred() ? -1 : 0;
}

static inline int size_argument(PyObject *o, Py_ssize_t otherwise, Py_ssize_t *value)
{
    *value = otherwise;
    if (!o) return 0;
    PyObject *index = PyNumber_Index(o);
    if (!index) return -1;
    *value = PyLong_AsSsize_t(index);
    Py_DECREF(index);
    return UNLIKELY(*value == -1) && PyErr_Occurred() ? -1 : 0;
}

/* In an instance of a heap type: visits the type, as tp_traverse has to. */
#define VISIT_TYPE(o) Py_VISIT(Py_TYPE(o))

/* The end of tp_dealloc of a heap type's instance. */
static inline void free_instance(PyObject *o)
{
    PyTypeObject *type = Py_TYPE(o);
    type->tp_free(o);
    Py_DECREF(type);
}

/* Makes a type from its spec and adds it to the module; *place (or NULL) gets a reference of its own. 0 or -1. */
static inline int module_add_type(PyObject *module, PyType_Spec *spec, PyTypeObject **place)
{
    PyTypeObject *type = (PyTypeObject *)PyType_FromModuleAndSpec(module, spec, NULL);
    if (!type) return -1;
    int status = PyModule_AddType(module, type);
    if (place) *place = type;
    else Py_DECREF(type);
    return status;
}

#define CLASS_GETITEM_METHOD { "__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, \
                               "__class_getitem__($type, object, /)\n--\n\nSee PEP 585" }
#define SLOT(id, value) { Py_##id, (void *)(value) }
#define MODULE_SLOTS_COMMON { Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED }, { Py_mod_gil, Py_MOD_GIL_NOT_USED }

#endif
