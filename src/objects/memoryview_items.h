/* Items of a memoryview in native single-character formats, as Python objects and back. */
#ifndef TAIPAN_OBJECTS_MEMORYVIEW_ITEMS_H
#define TAIPAN_OBJECTS_MEMORYVIEW_ITEMS_H

#include "taipan.h"

/* The size of an item, and its character in *code, of "x" or "@x"; -1 when the format is another. */
Py_ssize_t item_format(const char *format, char *code);
/* New reference. format is shown in errors. */
PyObject *item_unpack(const char *p, char code, const char *format);
/* 0 or -1. code is one of those item_format knows. */
int item_pack(char *p, PyObject *item, char code, const char *format);
/* Whether two items of the same native format are equal (nan is not). */
bool item_equal(const char *p, const char *q, char code);

#endif
