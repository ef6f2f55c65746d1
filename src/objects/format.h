/* The format mini-language ([[fill]align][sign][z][#][0][width][grouping][.precision][type]) and what numbers need of it.
 *
 * A spec is any str; an empty one means str(value). Results are new references, NULL with an exception. */
#ifndef TAIPAN_OBJECTS_FORMAT_H
#define TAIPAN_OBJECTS_FORMAT_H

#include "taipan.h"

PyObject *format_str(PyObject *value, PyObject *spec);       /* value: str */
PyObject *format_int(PyObject *value, PyObject *spec);       /* value: int; e f g % convert to float */
PyObject *format_float(PyObject *value, PyObject *spec);     /* value: float */
PyObject *format_complex(PyObject *value, PyObject *spec);   /* value: complex */

/* The digits of value, an int, for %d %i %u %o %x %X: with sign, and with prefix when alternate; at least precision digits. */
PyObject *format_int_percent(PyObject *value, bool alternate, int precision, char type);    /* type: d i u o x X */

/* str.format and format_map; str.format(*args, **kwargs) with kwargs any mapping or NULL. */
PyObject *format_fields(PyObject *format, PyObject *args, PyObject *kwargs);

/* _string.formatter_parser and _string.formatter_field_name_split. */
PyObject *format_parser_iter(PyObject *format);
PyObject *format_field_name_split(PyObject *name);

#endif
