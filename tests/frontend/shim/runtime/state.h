/* Stands in for runtime/state.h when the compiler is built into another Python: constant strings are made at import. */
#ifndef TAIPAN_SHIM_STATE_H
#define TAIPAN_SHIM_STATE_H
#include "taipan.h"
enum {
#define NAME(name) SHIM_##name,
#include "runtime/names.def"
    SHIM_NAMES
};
extern PyObject *shim_names[SHIM_NAMES];
#define STR(name) (shim_names[SHIM_##name])
#endif
