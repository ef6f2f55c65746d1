/* The _tokenize module. */
#include "taipan.h"

static struct PyModuleDef tokenize_module = { PyModuleDef_HEAD_INIT, .m_name = "_tokenize" };
PyMODINIT_FUNC PyInit__tokenize(void) { return PyModuleDef_Init(&tokenize_module); }
