/* What sys.c, sys_info.c and runtime/ share. */
#ifndef TAIPAN_SYS_PRIVATE_H
#define TAIPAN_SYS_PRIVATE_H

#include "runtime/state.h"
#include <wchar.h>

extern PyMethodDef sys_methods[];
bool audit_wanted(void);
/* A structseq type of sys by name: borrowed. */
PyObject *sys_type(const char *name);
extern PyTypeObject _PyNamespace_Type;
/* sys.path[0] for this argv: 1 with a new reference in *first, 0 nothing to put there, -1 exception. */
int main_path_compute(const PyWideStringList *argv, PyObject **first);

/* The module with everything that does not depend on configuration; then what does; both 0 / -1. */
PyObject *sys_module_new(PyThreadState *ts);
int sys_set_config(PyThreadState *ts);

#endif
