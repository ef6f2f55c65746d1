/* Static built-in types of types.def that Python.h does not declare. */
#ifndef TAIPAN_OBJECTS_TYPES_EXTERN_H
#define TAIPAN_OBJECTS_TYPES_EXTERN_H

#include "taipan.h"

PyAPI_DATA(PyTypeObject) _PyNone_Type, _PyNotImplemented_Type, _PyMethodWrapper_Type, _PyUnion_Type, _PyNamespace_Type;
extern PyObject *PyExc__IncompleteInputError;
extern PyTypeObject generic_alias_iter_type, buffer_wrapper_type, typealias_type, nodefault_type;
extern PyTypeObject memory_managed_buffer_type, memory_iterator_type;
extern PyTypeObject coroutine_wrapper_type, asyncgen_wrapped_type, asyncgen_athrow_type, asyncgen_anext_awaitable_type;
extern PyTypeObject symtable_entry_type, instruction_sequence_type;
extern PyTypeObject code_line_iterator_type, code_position_iterator_type, context_missing_type, legacy_handler_type;
extern PyTypeObject timedelta_type, date_type, time_type, datetime_type, tzinfo_type, timezone_type, iso_calendar_type;

/* The class attributes min, max ... of the types of modules/datetime. */
int datetime_types_init(void);

#endif
