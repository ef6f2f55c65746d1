/* list.sort: a stable, adaptive merge sort.
 *
 * Natural runs are found from the left (short ones are completed by binary insertion) and merged in the order that Powersort
 * (Munro and Wild, 2018) gives: each boundary between runs has a power, the depth at which a nearly perfect merge tree would cut
 * there, and a merge happens before a boundary of smaller power is pushed. Merging gallops (exponential search) while one run
 * keeps winning, as in Tim Peters' sort. Before sorting, one pass over the keys finds out whether all are of one type, for which
 * a comparison without checks can be used.
 *
 * Invariant: at every call of a comparison the arrays together hold every object exactly once, so an exception or a mutation
 * in the middle loses nothing.
 *
 * Numbers and strings, and tuples that begin with them, are sorted without comparing objects at all (list_sort_plain.c). */
#include "objects/list.h"

#include "objects/containers_private.h"
#include "objects/list_sort_private.h"

enum { GALLOP_START = 7, MAX_MINRUN = 64 };

/* ---- comparisons ------------------------------------------------------------------------------------------------------- */

static int less_any(PyObject *a, PyObject *b, Sort *s)
{
    (void)s;
    return PyObject_RichCompareBool(a, b, Py_LT);
}

/* All keys are of one type with that tp_richcompare. */
static int less_same_type(PyObject *a, PyObject *b, Sort *s)
{
    if (UNLIKELY(Py_TYPE(a)->tp_richcompare != s->compare)) return PyObject_RichCompareBool(a, b, Py_LT);
    PyObject *result = s->compare(a, b, Py_LT);
    if (result == Py_NotImplemented) return PyObject_RichCompareBool(a, b, Py_LT);
    if (!result) return -1;
    int less = PyBool_Check(result) ? result == Py_True : PyObject_IsTrue(result);
    Py_DECREF(result);
    return less;
}

/* Exact strs of one byte a character. */
static int less_latin1(PyObject *a, PyObject *b, Sort *s)
{
    (void)s;
    Py_ssize_t n = PyUnicode_GET_LENGTH(a), m = PyUnicode_GET_LENGTH(b);
    int order = memcmp(PyUnicode_DATA(a), PyUnicode_DATA(b), (size_t)(n < m ? n : m));
    return order ? order < 0 : n < m;
}

static int less_small_int(PyObject *a, PyObject *b, Sort *s)
{
    (void)s;
    return PyUnstable_Long_CompactValue((PyLongObject *)a) < PyUnstable_Long_CompactValue((PyLongObject *)b);
}

static int less_float(PyObject *a, PyObject *b, Sort *s)
{
    (void)s;
    return PyFloat_AS_DOUBLE(a) < PyFloat_AS_DOUBLE(b);
}

/* Exact tuples that are not empty: mostly decided by their first items, which are all of one type. */
static int less_tuple(PyObject *a, PyObject *b, Sort *s)
{
    Py_ssize_t n = Py_SIZE(a), m = Py_SIZE(b), i = 0;
    for (; i < n && i < m; i++) {
        int same = object_equal(PyTuple_GET_ITEM(a, i), PyTuple_GET_ITEM(b, i));
        if (same < 0) return -1;
        if (!same) break;
    }
    if (i >= n || i >= m) return n < m;
    if (i == 0) return s->first_less(PyTuple_GET_ITEM(a, 0), PyTuple_GET_ITEM(b, 0), s);
    return PyObject_RichCompareBool(PyTuple_GET_ITEM(a, i), PyTuple_GET_ITEM(b, i), Py_LT);
}

/* The comparison for keys, or first items of tuples, of those kinds. */
static Less *choose_for(Sort *s, const KeySurvey *survey)
{
    PyTypeObject *type = survey->type;
    if (!type) return less_any;
    if (type == &PyUnicode_Type && survey->latin1) return less_latin1;
    if (type == &PyLong_Type && survey->small_ints) return less_small_int;
    if (type == &PyFloat_Type) return less_float;
    if (!type->tp_richcompare) return less_any;
    s->compare = type->tp_richcompare;
    return less_same_type;
}

static KeySurvey survey_keys(PyObject **keys, Py_ssize_t n)
{
    KeySurvey survey = { .tuples = true, .small_ints = true, .latin1 = true };
    for (Py_ssize_t i = 0; i < n && survey.tuples; i++) survey.tuples = PyTuple_CheckExact(keys[i]) && Py_SIZE(keys[i]) > 0;
    survey.type = Py_TYPE(survey_key(&survey, keys[0]));
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *key = survey_key(&survey, keys[i]);
        if (Py_TYPE(key) != survey.type) {
            survey.type = NULL;
            break;
        }
        if (survey.type == &PyLong_Type) survey.small_ints &= PyUnstable_Long_IsCompact((PyLongObject *)key);
        else if (survey.type == &PyUnicode_Type) survey.latin1 &= PyUnicode_KIND(key) == PyUnicode_1BYTE_KIND;
    }
    return survey;
}

static void choose_comparison(Sort *s, const KeySurvey *survey)
{
    s->less = choose_for(s, survey);
    if (!survey->tuples) return;
    /* The first items may be tuples themselves: then their own comparison serves. */
    s->first_less = s->less;
    s->less = less_tuple;
}

/* ---- slices -------------------------------------------------------------------------------------------------------------- */

static inline Slice slice_at(Slice a, Py_ssize_t i) { return (Slice){ a.keys + i, a.values ? a.values + i : NULL }; }

static inline void slice_set(Slice to, Py_ssize_t i, Slice from, Py_ssize_t j)
{
    to.keys[i] = from.keys[j];
    if (to.values) to.values[i] = from.values[j];
}

static inline void slice_move(Slice to, Py_ssize_t i, Slice from, Py_ssize_t j, Py_ssize_t n)
{
    memmove(to.keys + i, from.keys + j, (size_t)n * sizeof(PyObject *));
    if (to.values) memmove(to.values + i, from.values + j, (size_t)n * sizeof(PyObject *));
}

static void reverse_objects(PyObject **low, Py_ssize_t n)
{
    for (PyObject **high = low + n - 1; low < high; low++, high--) {
        PyObject *swap = *low;
        *low = *high;
        *high = swap;
    }
}

static void slice_reverse(Slice a, Py_ssize_t n)
{
    reverse_objects(a.keys, n);
    if (a.values) reverse_objects(a.values, n);
}

/* Temporary room for n. 0 or -1. */
static int temp_reserve(Sort *s, Py_ssize_t n)
{
    int arrays = s->base.values ? 2 : 1;
    if (n <= s->temp_size) return 0;
    if (s->temp.keys != s->inline_temp) PyMem_Free(s->temp.keys);
    s->temp = (Slice){ s->inline_temp, arrays == 2 ? s->inline_temp + INLINE_TEMP / 2 : NULL };
    s->temp_size = INLINE_TEMP / arrays;
    if (n <= s->temp_size) return 0;
    PyObject **block = PyMem_Malloc((size_t)n * (size_t)arrays * sizeof(PyObject *));   /* n is at most half the list */
    if (!block) {
        PyErr_NoMemory();
        return -1;
    }
    s->temp = (Slice){ block, arrays == 2 ? block + n : NULL };
    s->temp_size = n;
    return 0;
}

/* ---- runs ---------------------------------------------------------------------------------------------------------------- */

/* a[0 .. sorted) is in order; the rest up to n is inserted by binary search. 0 or -1. */
static int insertion_sort(Sort *s, Slice a, Py_ssize_t n, Py_ssize_t sorted)
{
    for (Py_ssize_t i = sorted ? sorted : 1; i < n; i++) {
        PyObject *pivot = a.keys[i];
        Py_ssize_t low = 0, high = i;
        while (low < high) {                               /* the first place whose key is greater */
            Py_ssize_t middle = low + ((high - low) >> 1);
            int less = s->less(pivot, a.keys[middle], s);
            if (less < 0) return -1;
            if (less) high = middle;
            else low = middle + 1;
        }
        memmove(a.keys + low + 1, a.keys + low, (size_t)(i - low) * sizeof(PyObject *));
        a.keys[low] = pivot;
        if (a.values) {
            PyObject *value = a.values[i];
            memmove(a.values + low + 1, a.values + low, (size_t)(i - low) * sizeof(PyObject *));
            a.values[low] = value;
        }
    }
    return 0;
}

/* Length of the run at the start of a[0 .. n); a strictly descending run (stretches of equal keys inside it are reversed first, to
 * stay stable) is turned round. -1 on error. */
static Py_ssize_t find_run(Sort *s, Slice a, Py_ssize_t n)
{
    if (n < 2) return n;
    Py_ssize_t i = 1, equal = 0;                           /* equal: keys before i that are the same as a[i - 1] */
    int less;
    for (; i < n; i++) {                                   /* not descending */
        if ((less = s->less(a.keys[i], a.keys[i - 1], s)) < 0) return -1;
        if (less) break;
    }
    if (i == n) return n;
    if (i > 1) {
        /* Ascending so far; only a stretch of keys that are all equal can start a descending run. */
        if ((less = s->less(a.keys[0], a.keys[i - 1], s)) < 0) return -1;
        if (less) return i;
        slice_reverse(a, i);
    }
    for (i++; i < n; i++) {
        if ((less = s->less(a.keys[i], a.keys[i - 1], s)) < 0) return -1;
        if (less) {
            if (equal) slice_reverse(slice_at(a, i - 1 - equal), equal + 1);
            equal = 0;
            continue;
        }
        if ((less = s->less(a.keys[i - 1], a.keys[i], s)) < 0) return -1;
        if (less) break;
        equal++;
    }
    if (equal) slice_reverse(slice_at(a, i - 1 - equal), equal + 1);
    slice_reverse(a, i);
    for (; i < n; i++) {                                   /* turned round, it may go on ascending */
        if ((less = s->less(a.keys[i], a.keys[i - 1], s)) < 0) return -1;
        if (less) break;
    }
    return i;
}

/* Between 32 and 64, so that n / minrun is a power of two or a little less. */
static Py_ssize_t min_run(Py_ssize_t n)
{
    Py_ssize_t odd = 0;
    while (n >= MAX_MINRUN) {
        odd |= n & 1;
        n >>= 1;
    }
    return n + odd;
}

/* ---- galloping ------------------------------------------------------------------------------------------------------------- */

/* Where key belongs in a[0 .. n), left of its equals: a[k - 1] < key <= a[k]. Starts looking at hint. -1 on error. */
static Py_ssize_t gallop_left(Sort *s, PyObject *key, PyObject **a, Py_ssize_t n, Py_ssize_t hint)
{
    Py_ssize_t last = 0, offset = 1, low, high;
    int less = s->less(a[hint], key, s);
    if (less < 0) return -1;
    if (less) {                                            /* to the right: a[hint + last] < key <= a[hint + offset] */
        Py_ssize_t limit = n - hint;
        while (offset < limit) {
            if ((less = s->less(a[hint + offset], key, s)) < 0) return -1;
            if (!less) break;
            last = offset;
            offset = (offset << 1) + 1;
        }
        if (offset > limit) offset = limit;
        low = hint + last + 1;
        high = hint + offset;
    }
    else {                                                 /* to the left: a[hint - offset] < key <= a[hint - last] */
        Py_ssize_t limit = hint + 1;
        while (offset < limit) {
            if ((less = s->less(a[hint - offset], key, s)) < 0) return -1;
            if (less) break;
            last = offset;
            offset = (offset << 1) + 1;
        }
        if (offset > limit) offset = limit;
        low = hint - offset + 1;
        high = hint - last;
    }
    while (low < high) {
        Py_ssize_t middle = low + ((high - low) >> 1);
        if ((less = s->less(a[middle], key, s)) < 0) return -1;
        if (less) low = middle + 1;
        else high = middle;
    }
    return high;
}

/* The same, right of its equals: a[k - 1] <= key < a[k]. */
static Py_ssize_t gallop_right(Sort *s, PyObject *key, PyObject **a, Py_ssize_t n, Py_ssize_t hint)
{
    Py_ssize_t last = 0, offset = 1, low, high;
    int less = s->less(key, a[hint], s);
    if (less < 0) return -1;
    if (less) {
        Py_ssize_t limit = hint + 1;
        while (offset < limit) {
            if ((less = s->less(key, a[hint - offset], s)) < 0) return -1;
            if (!less) break;
            last = offset;
            offset = (offset << 1) + 1;
        }
        if (offset > limit) offset = limit;
        low = hint - offset + 1;
        high = hint - last;
    }
    else {
        Py_ssize_t limit = n - hint;
        while (offset < limit) {
            if ((less = s->less(key, a[hint + offset], s)) < 0) return -1;
            if (less) break;
            last = offset;
            offset = (offset << 1) + 1;
        }
        if (offset > limit) offset = limit;
        low = hint + last + 1;
        high = hint + offset;
    }
    while (low < high) {
        Py_ssize_t middle = low + ((high - low) >> 1);
        if ((less = s->less(key, a[middle], s)) < 0) return -1;
        if (less) high = middle;
        else low = middle + 1;
    }
    return high;
}

/* ---- merging --------------------------------------------------------------------------------------------------------------- */

/* Merges a (na, the shorter) with b (nb) behind it, from the left. b[0] < a[0] and a's last belongs at the very end. */
static int merge_low(Sort *s, Slice a, Py_ssize_t na, Slice b, Py_ssize_t nb)
{
    if (temp_reserve(s, na) < 0) return -1;
    Slice to = a;
    slice_move(s->temp, 0, a, 0, na);
    a = s->temp;
    Py_ssize_t i = 0, j = 0, k = 0, gallop = s->min_gallop;
    int status = -1;
    slice_set(to, k++, b, j++);
    if (j == nb) goto rest_of_a;
    if (na == 1) goto last_of_a;
    for (;;) {
        Py_ssize_t a_wins = 0, b_wins = 0;
        for (;;) {                                         /* one at a time, until one run seems to be winning */
            int less = s->less(b.keys[j], a.keys[i], s);
            if (less < 0) goto failed;
            if (less) {
                slice_set(to, k++, b, j++);
                b_wins++;
                a_wins = 0;
                if (j == nb) goto rest_of_a;
                if (b_wins >= gallop) break;
            }
            else {
                slice_set(to, k++, a, i++);
                a_wins++;
                b_wins = 0;
                if (i == na - 1) goto last_of_a;
                if (a_wins >= gallop) break;
            }
        }
        gallop++;
        do {
            gallop -= gallop > 1;
            s->min_gallop = gallop;
            a_wins = gallop_right(s, b.keys[j], a.keys + i, na - i, 0);
            if (a_wins < 0) goto failed;
            if (a_wins) {
                slice_move(to, k, a, i, a_wins);
                k += a_wins;
                i += a_wins;
                if (i == na - 1) goto last_of_a;
                if (i == na) goto done;                    /* only with an inconsistent comparison */
            }
            slice_set(to, k++, b, j++);
            if (j == nb) goto rest_of_a;
            b_wins = gallop_left(s, a.keys[i], b.keys + j, nb - j, 0);
            if (b_wins < 0) goto failed;
            if (b_wins) {
                slice_move(to, k, b, j, b_wins);
                k += b_wins;
                j += b_wins;
                if (j == nb) goto rest_of_a;
            }
            slice_set(to, k++, a, i++);
            if (i == na - 1) goto last_of_a;
        } while (a_wins >= GALLOP_START || b_wins >= GALLOP_START);
        gallop++;                                          /* galloping did not pay */
        s->min_gallop = gallop;
    }
rest_of_a:
done:
    status = 0;
failed:
    if (na - i) slice_move(to, k, a, i, na - i);
    return status;
last_of_a:
    slice_move(to, k, b, j, nb - j);
    slice_set(to, k + nb - j, a, i);
    return 0;
}

/* The mirror image: b is the shorter, the merge goes from the right. */
static int merge_high(Sort *s, Slice a, Py_ssize_t na, Slice b, Py_ssize_t nb)
{
    if (temp_reserve(s, nb) < 0) return -1;
    Slice to = slice_at(a, na + nb - 1);                   /* the place to fill next, and everything counts downwards */
    slice_move(s->temp, 0, b, 0, nb);
    b = s->temp;
    Py_ssize_t i = na - 1, j = nb - 1, k = 0, gallop = s->min_gallop;
    int status = -1;
    slice_set(to, k--, a, i--);
    if (i < 0) goto rest_of_b;
    if (nb == 1) goto last_of_b;
    for (;;) {
        Py_ssize_t a_wins = 0, b_wins = 0;
        for (;;) {
            int less = s->less(b.keys[j], a.keys[i], s);
            if (less < 0) goto failed;
            if (less) {
                slice_set(to, k--, a, i--);
                a_wins++;
                b_wins = 0;
                if (i < 0) goto rest_of_b;
                if (a_wins >= gallop) break;
            }
            else {
                slice_set(to, k--, b, j--);
                b_wins++;
                a_wins = 0;
                if (j == 0) goto last_of_b;
                if (b_wins >= gallop) break;
            }
        }
        gallop++;
        do {
            gallop -= gallop > 1;
            s->min_gallop = gallop;
            Py_ssize_t at = gallop_right(s, b.keys[j], a.keys, i + 1, i);
            if (at < 0) goto failed;
            a_wins = i + 1 - at;
            if (a_wins) {
                k -= a_wins;
                i -= a_wins;
                slice_move(to, k + 1, a, i + 1, a_wins);
                if (i < 0) goto rest_of_b;
            }
            slice_set(to, k--, b, j--);
            if (j == 0) goto last_of_b;
            at = gallop_left(s, a.keys[i], b.keys, j + 1, j);
            if (at < 0) goto failed;
            b_wins = j + 1 - at;
            if (b_wins) {
                k -= b_wins;
                j -= b_wins;
                slice_move(to, k + 1, b, j + 1, b_wins);
                if (j == 0) goto last_of_b;
                if (j < 0) goto done;                      /* only with an inconsistent comparison */
            }
            slice_set(to, k--, a, i--);
            if (i < 0) goto rest_of_b;
        } while (a_wins >= GALLOP_START || b_wins >= GALLOP_START);
        gallop++;
        s->min_gallop = gallop;
    }
rest_of_b:
done:
    status = 0;
failed:
    if (j >= 0) slice_move(to, k - j, b, 0, j + 1);
    return status;
last_of_b:
    slice_move(to, k - i, a, 0, i + 1);
    slice_set(to, k - i - 1, b, 0);
    return 0;
}

/* Merges run i with the next. */
static int merge_at(Sort *s, int at)
{
    Run *left = &s->runs[at], *right = left + 1;
    Slice a = slice_at(s->base, left->start), b = slice_at(s->base, right->start);
    Py_ssize_t na = left->length, nb = right->length;
    left->length += nb;
    s->run_count--;
    memmove(right, right + 1, (size_t)(s->run_count - at - 1) * sizeof(Run));
    Py_ssize_t skip = gallop_right(s, b.keys[0], a.keys, na, 0);         /* what is in place already */
    if (skip < 0) return -1;
    a = slice_at(a, skip);
    if (!(na -= skip)) return 0;
    nb = gallop_left(s, a.keys[na - 1], b.keys, nb, nb - 1);
    if (nb <= 0) return (int)nb;
    return na <= nb ? merge_low(s, a, na, b, nb) : merge_high(s, a, na, b, nb);
}

/* The power of the boundary between neighbouring runs: the first binary digit in which their middles, as fractions of n, differ. */
static int boundary_power(Py_ssize_t start, Py_ssize_t n1, Py_ssize_t n2, Py_ssize_t n)
{
    Py_ssize_t a = 2 * start + n1, b = a + n1 + n2;        /* twice the middles */
    for (int power = 1;; power++) {
        if (a >= n) {
            a -= n;
            b -= n;
        }
        else if (b >= n) return power;
        a <<= 1;
        b <<= 1;
    }
}

static int push_run(Sort *s, Py_ssize_t start, Py_ssize_t length)
{
    if (s->run_count) {
        Run *top = &s->runs[s->run_count - 1];
        int power = boundary_power(top->start, top->length, length, s->n);
        while (s->run_count > 1 && s->runs[s->run_count - 2].power > power)
            if (merge_at(s, s->run_count - 2) < 0) return -1;
        s->runs[s->run_count - 1].power = power;
    }
    s->runs[s->run_count++] = (Run){ start, length, 0 };
    return 0;
}

static int sort_slice(Sort *s)
{
    Py_ssize_t minrun = min_run(s->n), start = 0;
    while (start < s->n) {
        Py_ssize_t left = s->n - start, length = find_run(s, slice_at(s->base, start), left);
        if (length < 0) return -1;
        if (length < minrun) {
            Py_ssize_t forced = left < minrun ? left : minrun;
            if (insertion_sort(s, slice_at(s->base, start), forced, length) < 0) return -1;
            length = forced;
        }
        if (push_run(s, start, length) < 0) return -1;
        start += length;
    }
    while (s->run_count > 1)
        if (merge_at(s, s->run_count - 2) < 0) return -1;
    return 0;
}

int list_sort_merging(const KeySurvey *survey, PyObject **values, PyObject **keys, Py_ssize_t n)
{
    Sort s;
    s.n = n;
    s.min_gallop = GALLOP_START;
    s.run_count = 0;
    s.base = keys ? (Slice){ keys, values } : (Slice){ values, NULL };
    s.temp = (Slice){ s.inline_temp, NULL };
    s.temp_size = 0;
    choose_comparison(&s, survey);
    int status = sort_slice(&s);
    if (s.temp.keys != s.inline_temp) PyMem_Free(s.temp.keys);
    return status;
}

/* Stable. keys may be NULL, and stand in any order afterwards. 0 or -1. */
static int sort_array(PyObject **values, PyObject **keys, Py_ssize_t n)
{
    if (n < 2) return 0;
    KeySurvey survey = survey_keys(keys ? keys : values, n);
    return list_sort_plain(&survey, values, keys, n) ? 0 : list_sort_merging(&survey, values, keys, n);
}

/* ---- the list ---------------------------------------------------------------------------------------------------------------- */

static void release_objects(PyObject **objects, Py_ssize_t n)
{
    for (Py_ssize_t i = 0; i < n; i++) Py_DECREF(objects[i]);
}

/* key(item) for every item, in a new array. NULL with an exception. */
static PyObject **compute_keys(PyObject **items, Py_ssize_t n, PyObject *key)
{
    PyObject **keys = PyMem_Malloc(n ? (size_t)n * sizeof(PyObject *) : 1);
    if (!keys) return (PyObject **)PyErr_NoMemory();
    for (Py_ssize_t i = 0; i < n; i++) {
        if ((keys[i] = PyObject_CallOneArg(key, items[i]))) continue;
        release_objects(keys, i);
        PyMem_Free(keys);
        return NULL;
    }
    return keys;
}

int list_sort_in_place(PyListObject *list, PyObject *key, bool reverse)
{
    Py_ssize_t n = Py_SIZE(list), allocated = list->allocated;
    PyObject **items = list->ob_item, **keys = NULL;
    int status = -1;
    Py_SET_SIZE(list, 0);                                  /* seen from outside the list is empty meanwhile */
    list->ob_item = NULL;
    list->allocated = -1;                                  /* any change of the list will overwrite this */
    if (key && !(keys = compute_keys(items, n, key))) goto done;
    if (reverse && n > 1) {                                /* before and after, so that equals keep their order */
        if (keys) reverse_objects(keys, n);
        reverse_objects(items, n);
    }
    status = sort_array(items, keys, n);
    if (reverse && n > 1) reverse_objects(items, n);
    if (keys) {
        release_objects(keys, n);
        PyMem_Free(keys);
    }
done:
    if (list->allocated != -1 && status == 0) {
        PyErr_SetString(PyExc_ValueError, "list modified during sort");
        status = -1;
    }
    PyObject **other = list->ob_item;
    Py_ssize_t other_n = Py_SIZE(list);
    list->ob_item = items;
    list->allocated = allocated;
    Py_SET_SIZE(list, n);
    if (other) {
        release_objects(other, other_n);
        PyMem_Free(other);
    }
    return status;
}
