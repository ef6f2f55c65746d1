/* Stands in for runtime/runtime.h when the compiler is built into another Python. */
#ifndef TAIPAN_SHIM_RUNTIME_H
#define TAIPAN_SHIM_RUNTIME_H
typedef struct { int optimization_level; } ShimConfig;
static const ShimConfig shim_config;
#define interp_config(interp) (&shim_config)
#endif
