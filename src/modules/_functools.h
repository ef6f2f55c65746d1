/* The parts of _functools. */
#ifndef TAIPAN_MODULES_FUNCTOOLS_H
#define TAIPAN_MODULES_FUNCTOOLS_H

#include "modules/support.h"

typedef struct FunctoolsState {
    PyTypeObject *key_type, *link_type;
    PyObject *keyword_mark;                   /* stands between positional and keyword arguments in a cache key */
} FunctoolsState;

extern PyType_Spec partial_spec, lru_cache_spec, lru_link_spec;
extern struct PyModuleDef functools_module;

/* Of an instance of one of the module's types, or of a subclass. */
static inline FunctoolsState *functools_state_of(PyTypeObject *type)
{
    PyObject *module = PyType_GetModuleByDef(type, &functools_module);
    return module ? (FunctoolsState *)PyModule_GetState(module) : NULL;
}

#endif
