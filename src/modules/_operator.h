/* The parts of _operator. */
#ifndef TAIPAN_MODULES_OPERATOR_H
#define TAIPAN_MODULES_OPERATOR_H

#include "modules/support.h"

extern PyType_Spec itemgetter_spec, attrgetter_spec, methodcaller_spec;

#endif
