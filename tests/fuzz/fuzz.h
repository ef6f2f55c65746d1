/* What the fuzz targets share: one interpreter, started once, that reads no environment and no site. */
#ifndef TAIPAN_FUZZ_H
#define TAIPAN_FUZZ_H

#include "runtime/state.h"
#include "runtime/runtime_private.h"
#include "runtime/import_private.h"

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*target)(const uint8_t *data, size_t size));

int main(int argc, char **argv) { return frozen_blob.count ? LLVMFuzzerRunDriver(&argc, &argv, LLVMFuzzerTestOneInput) : freeze_main(argc, argv); }

static inline void fuzz_start(void)
{
    PyConfig config;
    PyConfig_InitIsolatedConfig(&config);
    config.site_import = 0;
    config.write_bytecode = 0;
    config.install_signal_handlers = 0;
    PyStatus status = Py_InitializeFromConfig(&config);
    PyConfig_Clear(&config);
    if (PyStatus_Exception(status)) Py_ExitStatusException(status);
    PyRun_SimpleString("import sys, warnings; warnings.simplefilter('ignore'); sys.set_int_max_str_digits(640)");
}

/* The exception must be one of the kinds that bad input may raise: anything else ends the run. */
static inline void fuzz_expect(PyObject *const *kinds, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (PyErr_ExceptionMatches(kinds[i])) {
            PyErr_Clear();
            return;
        }
    PyErr_Print();
    abort();
}

#endif
