/* What int and float keep in the Interpreter. */
#ifndef TAIPAN_OBJECTS_NUMBER_STATE_H
#define TAIPAN_OBJECTS_NUMBER_STATE_H

#include "taipan.h"

typedef struct NumberState {
    int max_str_digits;                     /* sys.set_int_max_str_digits; 0: no limit. Set from the configuration at start */
    PyObject *int_info, *float_info;        /* sys.int_info, sys.float_info; NULL until asked for */
} NumberState;

#endif
