/* The parts of _collections. */
#ifndef TAIPAN_MODULES_COLLECTIONS_H
#define TAIPAN_MODULES_COLLECTIONS_H

#include "modules/support.h"

typedef struct CollectionsState {
    PyTypeObject *deque_type, *iterator_type, *reverse_iterator_type, *defaultdict_type, *tuplegetter_type;
} CollectionsState;

extern struct PyModuleDef collections_module;
extern PyType_Spec deque_spec, deque_iterator_spec, deque_reverse_iterator_spec, defaultdict_spec, tuplegetter_spec;

static inline CollectionsState *collections_state_of(PyTypeObject *type)
{
    PyObject *module = PyType_GetModuleByDef(type, &collections_module);
    return module ? (CollectionsState *)PyModule_GetState(module) : NULL;
}

#endif
