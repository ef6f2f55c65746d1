/* What int and float keep in the Interpreter. */
#ifndef TAIPAN_OBJECTS_NUMBER_STATE_H
#define TAIPAN_OBJECTS_NUMBER_STATE_H

#include "taipan.h"

typedef struct NumberState {
    PyObject *int_info, *float_info;        /* sys.int_info, sys.float_info; NULL until asked for */
} NumberState;

#endif
