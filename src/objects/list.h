/* list: what the rest of Taipan may use beyond PyList_*. */
#ifndef TAIPAN_OBJECTS_LIST_H
#define TAIPAN_OBJECTS_LIST_H

#include "memory/alloc.h"

/* Makes room for one more item and appends it. item STOLEN, also on failure. */
int list_append_grow_steal(PyListObject *list, PyObject *item);

static ALWAYS_INLINE int list_append_steal(PyListObject *list, PyObject *item)
{
    Py_ssize_t n = Py_SIZE(list);
    if (LIKELY(n < list->allocated)) {
        list->ob_item[n] = item;
        Py_SET_SIZE(list, n + 1);
        return 0;
    }
    return list_append_grow_steal(list, item);
}
/* Items STOLEN, also on failure. */
PyObject *list_from_array_steal(PyObject *const *items, Py_ssize_t n);

/* The iterator over lists and tuples alike: index is -1 and sequence NULL when it is exhausted. */
typedef struct ListIterator {
    PyObject_HEAD
    Py_ssize_t index;
    PyObject *sequence;               /* owned */
} ListIterator;

#endif
