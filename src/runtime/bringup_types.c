/* Bring-up only: weak placeholders for types that other components have not landed yet. */
#include "taipan.h"
#define T(x, n) __attribute__((weak)) PyTypeObject x = { PyVarObject_HEAD_INIT(&PyType_Type, 0) .tp_name = n, .tp_basicsize = 16, .tp_flags = Py_TPFLAGS_DEFAULT };
T(PyContextToken_Type, "PyContextToken_Type")
T(PyContextVar_Type, "PyContextVar_Type")
T(PyContext_Type, "PyContext_Type")
