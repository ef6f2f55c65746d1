/* Stands in for runtime/runtime.h when the compiler is built into another Python. */
#ifndef TAIPAN_SHIM_RUNTIME_H
#define TAIPAN_SHIM_RUNTIME_H
typedef struct { int optimization_level, code_debug_ranges; } ShimConfig;
static const ShimConfig shim_config = { 0, 1 };
#define interp_config(interp) (&shim_config)
#endif
