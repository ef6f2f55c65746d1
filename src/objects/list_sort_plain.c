/* Sorting keys whose order is known without running code: ints, floats and strs, and tuples that begin with them.
 *
 * Each key gives 64 bits that are ordered as the keys are (of a string, what fits of its first characters behind those that all
 * strings share). As many of the upper bits as fit stand with the key's place in one word, so that words are all different, in
 * a stable order, and the objects need not be touched again. The words are sorted in place by a radix sort from the top
 * (McIlroy, Bostic and McIlroy, "Engineering Radix Sort", 1993); keys whose bits were the same are then sorted by comparing.
 *
 * A stable sort has one result only where the order is total, so NaN is not taken, nor a tuple whose comparison could run
 * code: those go to the merge sort, which makes CPython's comparisons. */
#include "objects/list_sort_private.h"

#include "objects/containers_private.h"

enum { MIN_KEYS = 48, MIN_RUN = 32, SAMPLE = 12, INSERTION_MAX = 24, DIGIT_MAX = 10 };

typedef struct Plain {
    const KeySurvey *survey;
    PyObject **keys;
    Py_ssize_t n;
    uint64_t *words;                                       /* order << index_bits | index */
    unsigned index_bits;
    Py_ssize_t shared;                                     /* characters with which all strings begin */
    bool exact;                                            /* keys of the same order are equal */
} Plain;

/* ---- order ---------------------------------------------------------------------------------------------------------------- */

/* The order of the keys from..to. False: not of this kind. */
typedef bool Order(Plain *p, Py_ssize_t from, Py_ssize_t to);

static bool order_ints(Plain *p, Py_ssize_t from, Py_ssize_t to)
{
    for (Py_ssize_t i = from; i < to; i++) {
        PyObject *key = survey_key(p->survey, p->keys[i]);
        int overflow = 0;
        long value = LIKELY(PyUnstable_Long_IsCompact((PyLongObject *)key)) ? PyUnstable_Long_CompactValue((PyLongObject *)key)
                                                                            : PyLong_AsLongAndOverflow(key, &overflow);
        if (overflow) return false;
        p->words[i] = (uint64_t)value ^ (uint64_t)1 << 63;
    }
    return true;
}

static bool order_floats(Plain *p, Py_ssize_t from, Py_ssize_t to)
{
    bool numbers = true;
    for (Py_ssize_t i = from; i < to; i++) {
        double value = PyFloat_AS_DOUBLE(survey_key(p->survey, p->keys[i])) + 0.0;        /* -0.0 becomes 0.0 */
        uint64_t bits;
        memcpy(&bits, &value, sizeof bits);
        numbers &= value == value;
        p->words[i] = bits >> 63 ? ~bits : bits | (uint64_t)1 << 63;
    }
    return numbers;
}

/* How many characters all strings have in common at the start. */
static Py_ssize_t shared_prefix(Plain *p)
{
    PyObject *first = survey_key(p->survey, p->keys[0]);
    Py_ssize_t shared = PyUnicode_GET_LENGTH(first);
    const Py_UCS1 *text = PyUnicode_1BYTE_DATA(first);
    for (Py_ssize_t i = 1; i < p->n && shared; i++) {
        PyObject *key = survey_key(p->survey, p->keys[i]);
        const Py_UCS1 *other = PyUnicode_1BYTE_DATA(key);
        Py_ssize_t limit = PyUnicode_GET_LENGTH(key) < shared ? PyUnicode_GET_LENGTH(key) : shared, k = 0;
        while (k < limit && text[k] == other[k]) k++;
        shared = k;
    }
    return shared;
}

static bool order_strings(Plain *p, Py_ssize_t from, Py_ssize_t to)
{
    for (Py_ssize_t i = from; i < to; i++) {
        PyObject *key = survey_key(p->survey, p->keys[i]);
        const Py_UCS1 *text = PyUnicode_1BYTE_DATA(key) + p->shared;
        Py_ssize_t left = PyUnicode_GET_LENGTH(key) - p->shared;
        uint64_t order = 0;
        for (int k = 0; k < 8; k++) order = order << 8 | (k < left ? text[k] : 0);
        p->words[i] = order;
    }
    return true;
}

/* How many of the words from..to are less than the one before. */
static Py_ssize_t count_descents(const Plain *p, Py_ssize_t from, Py_ssize_t to)
{
    Py_ssize_t descents = 0;
    for (Py_ssize_t i = from + 1; i < to; i++) descents += p->words[i] < p->words[i - 1];
    return descents;
}

/* Fills the words with orders. False also for keys that are mostly in order already, or all backwards: the merge sort sees
 * that, and does next to nothing. Where the two ends and the middle look like it, the rest is not looked at. */
static bool fill_words(Plain *p, Order *order)
{
    const Py_ssize_t starts[] = { 0, p->n / 2, p->n - SAMPLE };
    Py_ssize_t descents = 0;
    for (int i = 0; i < 3; i++) {
        if (!order(p, starts[i], starts[i] + SAMPLE)) return false;
        descents += count_descents(p, starts[i], starts[i] + SAMPLE);
    }
    if (descents == 0 || descents == 3 * (SAMPLE - 1) || !order(p, 0, p->n)) return false;
    descents = count_descents(p, 0, p->n);
    return descents >= p->n / MIN_RUN && descents < p->n - 1;
}

/* Makes the lowest order 0, and returns how many bits the highest then has. */
static unsigned normalize(Plain *p)
{
    uint64_t low = UINT64_MAX, high = 0;
    for (Py_ssize_t i = 0; i < p->n; i++) {
        low = p->words[i] < low ? p->words[i] : low;
        high = p->words[i] > high ? p->words[i] : high;
    }
    for (Py_ssize_t i = 0; i < p->n; i++) p->words[i] -= low;
    return high == low ? 0 : 64 - (unsigned)__builtin_clzll(high - low);
}

/* Order to words; exact tells whether keys of the same order are equal. */
static void pack(Plain *p, unsigned order_bits, bool exact)
{
    p->index_bits = 64 - (unsigned)__builtin_clzll((uint64_t)p->n - 1);
    unsigned room = 64 - p->index_bits, shift = order_bits > room ? order_bits - room : 0;
    p->exact = exact && shift == 0;
    for (Py_ssize_t i = 0; i < p->n; i++) p->words[i] = p->words[i] >> shift << p->index_bits | (uint64_t)i;
}

/* ---- sorting words --------------------------------------------------------------------------------------------------------- */

static void insert_words(uint64_t *words, Py_ssize_t n)
{
    for (Py_ssize_t i = 1; i < n; i++) {
        uint64_t word = words[i];
        Py_ssize_t at = i;
        for (; at > 0 && words[at - 1] > word; at--) words[at] = words[at - 1];
        words[at] = word;
    }
}

static inline unsigned radix_digit(uint64_t word, int shift, int width) { return (unsigned)(word >> shift & (((uint64_t)1 << width) - 1)); }

/* Brings words of the same digit together, in the digit's order. Not inline: the counts must not stay on the stack of the levels. */
static NOINLINE void distribute(uint64_t *words, Py_ssize_t n, int shift, int width)
{
    uint32_t end[1 << DIGIT_MAX], next[1 << DIGIT_MAX], sum = 0;
    unsigned buckets = 1u << width;
    memset(end, 0, buckets * sizeof *end);
    for (Py_ssize_t i = 0; i < n; i++) end[radix_digit(words[i], shift, width)]++;
    for (unsigned b = 0; b < buckets; b++) {
        next[b] = sum;
        end[b] = sum += end[b];
    }
    for (unsigned b = 0; b < buckets; b++)
        while (next[b] < end[b]) {
            uint64_t word = words[next[b]];
            for (unsigned to; (to = radix_digit(word, shift, width)) != b;) {
                uint64_t displaced = words[next[to]];
                words[next[to]++] = word;
                word = displaced;
            }
            words[next[b]++] = word;
        }
}

/* By the uppermost bits that are not the same in all words, then each bucket again: at most 32 levels deep. */
static void radix_words(uint64_t *words, Py_ssize_t n)
{
    uint64_t differing = 0;
    for (Py_ssize_t i = 1; i < n; i++) differing |= words[i] ^ words[0];
    int top = 64 - __builtin_clzll(differing), width = 64 - __builtin_clzll((uint64_t)n) - 3;      /* some eight words a bucket */
    if (width > DIGIT_MAX) width = DIGIT_MAX;
    if (width > top) width = top;
    int shift = top - width;
    distribute(words, n, shift, width);
    for (Py_ssize_t start = 0, end; shift && start < n; start = end) {
        unsigned here = radix_digit(words[start], shift, width);
        for (end = start + 1; end < n && radix_digit(words[end], shift, width) == here;) end++;
        if (end - start > INSERTION_MAX) radix_words(words + start, end - start);
        else insert_words(words + start, end - start);
    }
}

/* Values by a few different orders: counted, and each put where it belongs. */
static bool count_values(const Plain *p, PyObject **values, unsigned order_bits)
{
    Py_ssize_t next[1 << DIGIT_MAX] = { 0 }, sum = 0;
    PyObject **sorted = PyMem_Malloc((size_t)p->n * sizeof *sorted);
    if (!sorted) return false;
    for (Py_ssize_t i = 0; i < p->n; i++) next[p->words[i]]++;
    for (unsigned order = 0; order < 1u << order_bits; order++) {
        Py_ssize_t count = next[order];
        next[order] = sum;
        sum += count;
    }
    for (Py_ssize_t i = 0; i < p->n; i++) sorted[next[p->words[i]]++] = values[i];
    memcpy(values, sorted, (size_t)p->n * sizeof *values);
    PyMem_Free(sorted);
    return true;
}

/* ---- keys of the same order ------------------------------------------------------------------------------------------------ */

static inline PyObject *key_of(const Plain *p, uint64_t word) { return p->keys[word & (((uint64_t)1 << p->index_bits) - 1)]; }

/* Items that compare without running code, in a total order. */
static bool item_is_plain(PyObject *item)
{
    if (PyFloat_CheckExact(item)) return !isnan(PyFloat_AS_DOUBLE(item));
    return PyLong_CheckExact(item) || PyUnicode_CheckExact(item) || PyBytes_CheckExact(item) || PyBool_Check(item) || item == Py_None;
}

static bool tuple_is_plain(PyObject *tuple)
{
    for (Py_ssize_t i = 1; i < PyTuple_GET_SIZE(tuple); i++)
        if (!item_is_plain(PyTuple_GET_ITEM(tuple, i))) return false;
    return true;
}

/* The words of one order, by comparing. False when that fails. */
static bool sort_group(const Plain *p, uint64_t *words, Py_ssize_t n)
{
    PyObject **keys = PyMem_Malloc((size_t)n * 2 * sizeof *keys), **values = keys + n;
    if (!keys) return false;
    bool done = true;
    for (Py_ssize_t i = 0; i < n; i++) {
        keys[i] = key_of(p, words[i]);
        values[i] = (PyObject *)words[i];                  /* only moved */
        if (p->survey->tuples) done = done && tuple_is_plain(keys[i]);
    }
    done = done && list_sort_merging(p->survey, values, keys, n) == 0;
    for (Py_ssize_t i = 0; done && i < n; i++) words[i] = (uint64_t)values[i];
    PyMem_Free(keys);
    if (!done) PyErr_Clear();                              /* it will be raised again */
    return done;
}

static bool sort_groups(const Plain *p)
{
    for (Py_ssize_t start = 0, end; start < p->n; start = end) {
        for (end = start + 1; end < p->n && !((p->words[start] ^ p->words[end]) >> p->index_bits);) end++;
        if (end - start > 1 && !sort_group(p, p->words + start, end - start)) return false;
    }
    return true;
}

/* ---- the whole -------------------------------------------------------------------------------------------------------------- */

static bool sort_with(Plain *p, PyObject **values)
{
    PyTypeObject *type = p->survey->type;
    if (type == &PyUnicode_Type) {
        if (!p->survey->latin1) return false;
        p->shared = shared_prefix(p);
    }
    if (!fill_words(p, type == &PyLong_Type ? order_ints : type == &PyFloat_Type ? order_floats : order_strings)) return false;
    bool exact = type != &PyUnicode_Type && !p->survey->tuples;
    unsigned order_bits = normalize(p);
    if (exact && order_bits <= DIGIT_MAX) return count_values(p, values, order_bits);
    pack(p, order_bits, exact);
    radix_words(p->words, p->n);
    if (!p->exact && !sort_groups(p)) return false;
    uint64_t mask = ((uint64_t)1 << p->index_bits) - 1;
    for (Py_ssize_t i = 0; i < p->n; i++) p->words[i] = (uint64_t)values[p->words[i] & mask];
    memcpy(values, p->words, (size_t)p->n * sizeof *values);
    return true;
}

bool list_sort_plain(const KeySurvey *survey, PyObject **values, PyObject **keys, Py_ssize_t n)
{
    PyTypeObject *type = survey->type;
    if (n < MIN_KEYS || n > UINT32_MAX || (type != &PyLong_Type && type != &PyFloat_Type && type != &PyUnicode_Type)) return false;
    Plain p = { .survey = survey, .keys = keys ? keys : values, .n = n };
    if (!(p.words = PyMem_Malloc((size_t)n * sizeof *p.words))) return false;
    bool sorted = sort_with(&p, values);
    PyMem_Free(p.words);
    return sorted;
}
