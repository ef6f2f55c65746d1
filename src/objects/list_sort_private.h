/* What the two ways of sorting share. */
#ifndef TAIPAN_OBJECTS_LIST_SORT_PRIVATE_H
#define TAIPAN_OBJECTS_LIST_SORT_PRIVATE_H

#include "taipan.h"

/* What one look at every key found out. */
typedef struct KeySurvey {
    PyTypeObject *type;                                    /* of all of them, or NULL */
    bool tuples;                                           /* the keys are exact tuples, not empty; the rest is about their first items */
    bool small_ints, latin1;                               /* exact ints are all compact, exact strs all of one byte a character */
} KeySurvey;

static inline PyObject *survey_key(const KeySurvey *survey, PyObject *key) { return survey->tuples ? PyTuple_GET_ITEM(key, 0) : key; }

typedef struct Sort Sort;
typedef int Less(PyObject *a, PyObject *b, Sort *s);       /* a < b: 1, 0, -1 */

typedef struct Slice { PyObject **keys, **values; } Slice; /* values NULL when the keys are what is sorted */

typedef struct Run { Py_ssize_t start, length; int power; } Run;

enum { MAX_RUNS = 85, INLINE_TEMP = 256 };

struct Sort {
    Less *less, *first_less;                               /* first_less: of the first items of tuples */
    richcmpfunc compare;                                   /* of the one type that all keys have */
    Py_ssize_t n, min_gallop;
    Slice base, temp;
    Py_ssize_t temp_size;
    int run_count;
    Run runs[MAX_RUNS];
    PyObject *inline_temp[INLINE_TEMP];
};

/* Merge sort by comparing. keys may be NULL. 0 or -1 with what a comparison raised; every object is still there then. */
int list_sort_merging(const KeySurvey *survey, PyObject **values, PyObject **keys, Py_ssize_t n);
/* False when the keys are not of that kind, or there is no memory: nothing has changed. */
bool list_sort_plain(const KeySurvey *survey, PyObject **values, PyObject **keys, Py_ssize_t n);

#endif
