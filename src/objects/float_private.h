/* Between float.c and float_pack.c. */
#ifndef TAIPAN_OBJECTS_FLOAT_PRIVATE_H
#define TAIPAN_OBJECTS_FLOAT_PRIVATE_H

#include "taipan.h"

PyObject *float_to_hex(double value);
PyObject *float_from_hex(PyObject *text);

#endif
