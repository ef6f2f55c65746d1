/* Changing case. ASCII is a table lookup a byte; other text goes through the database's full mappings, which may give up to
 * three characters for one, and Greek final sigma, which looks at its neighbours. */
#include "objects/str_private.h"
#include "objects/unicode_data.h"
#include "objects/unicode_private.h"

/* Own docstrings, because the methods are declared in str_private.h rather than by the BUILTIN macros. */
const char str_lower_doc[] = "lower($self, /)\n--\n\nA copy in lower case.";
const char str_upper_doc[] = "upper($self, /)\n--\n\nA copy in upper case.";
const char str_title_doc[] = "title($self, /)\n--\n\nA copy in which words begin with upper case and go on in lower case.";
const char str_capitalize_doc[] = "capitalize($self, /)\n--\n\nA copy with the first character in upper case and the rest in lower case.";
const char str_swapcase_doc[] = "swapcase($self, /)\n--\n\nA copy with upper case made lower and lower case made upper.";
const char str_casefold_doc[] = "casefold($self, /)\n--\n\nA copy for comparing without regard to case.";

enum { SIGMA = 0x3a3, SMALL_SIGMA = 0x3c3, FINAL_SIGMA = 0x3c2 };

/* The rule of the standard: a sigma is final when a cased letter precedes it and none follows, ignorable ones left out. */
static bool is_final_sigma(int kind, const void *data, Py_ssize_t n, Py_ssize_t i)
{
    Py_ssize_t j = i - 1;
    unsigned flags = 0;
    while (j >= 0 && (flags = char_flags(PyUnicode_READ(kind, data, j))) & CHAR_CASE_IGNORABLE) j--;
    if (j < 0 || !(flags & CHAR_CASED)) return false;
    for (j = i + 1; j < n; j++) {
        flags = char_flags(PyUnicode_READ(kind, data, j));
        if (!(flags & CHAR_CASE_IGNORABLE)) return !(flags & CHAR_CASED);
    }
    return true;
}

static int lower_at(int kind, const void *data, Py_ssize_t n, Py_ssize_t i, Py_UCS4 c, Py_UCS4 out[3])
{
    if (c != SIGMA) return char_lower_full(c, out);
    out[0] = is_final_sigma(kind, data, n, i) ? FINAL_SIGMA : SMALL_SIGMA;
    return 1;
}

typedef enum CaseMap { MAP_LOWER, MAP_UPPER, MAP_TITLE, MAP_CAPITALIZE, MAP_SWAP, MAP_FOLD } CaseMap;

static ALWAYS_INLINE int map_one(CaseMap map, int kind, const void *data, Py_ssize_t n, Py_ssize_t i, bool *in_word, Py_UCS4 out[3])
{
    Py_UCS4 c = PyUnicode_READ(kind, data, i);
    switch (map) {
        case MAP_LOWER: return lower_at(kind, data, n, i, c, out);
        case MAP_UPPER: return char_upper_full(c, out);
        case MAP_FOLD: return char_fold_full(c, out);
        case MAP_CAPITALIZE: return i == 0 ? char_title_full(c, out) : lower_at(kind, data, n, i, c, out);
        case MAP_TITLE: {
            int length = *in_word ? lower_at(kind, data, n, i, c, out) : char_title_full(c, out);
            *in_word = char_flags(c) & CHAR_CASED;
            return length;
        }
        default: {
            unsigned flags = char_flags(c);
            if (flags & CHAR_UPPER) return lower_at(kind, data, n, i, c, out);
            if (flags & CHAR_LOWER) return char_upper_full(c, out);
            out[0] = c;
            return 1;
        }
    }
}

static PyObject *map_general(PyObject *s, CaseMap map)
{
    Py_ssize_t n = LENGTH(s), at = 0;
    int kind = KIND(s);
    const void *data = DATA(s);
    bool in_word = false;
    if (n > PY_SSIZE_T_MAX / 12) {
        PyErr_SetString(PyExc_OverflowError, "string is too long");
        return NULL;
    }
    Py_UCS4 small[192], *buffer = n <= 64 ? small : PyMem_Malloc((size_t)n * 3 * sizeof *buffer);
    if (!buffer) return PyErr_NoMemory();
    for (Py_ssize_t i = 0; i < n; i++) at += map_one(map, kind, data, n, i, &in_word, buffer + at);
    PyObject *result = str_from_ucs4(buffer, at);
    if (buffer != small) PyMem_Free(buffer);
    return result;
}

static inline Py_UCS1 ascii_lower(Py_UCS1 c) { return (Py_UCS1)(c | ((Py_UCS1)(c - 'A') < 26) << 5); }
static inline Py_UCS1 ascii_upper(Py_UCS1 c) { return (Py_UCS1)(c & ~(((Py_UCS1)(c - 'a') < 26) << 5)); }
static inline bool ascii_is_alpha(Py_UCS1 c) { return (Py_UCS1)((c | 0x20) - 'a') < 26; }

static PyObject *map_case(PyObject *s, CaseMap map)
{
    Py_ssize_t n = LENGTH(s);
    if (n == 0) return EMPTY_STR;
    if (!PyUnicode_IS_ASCII(s)) return map_general(s, map);
    const Py_UCS1 *p = DATA(s);
    Py_UCS1 one, *out = &one;
    PyObject *result = NULL;
    if (n > 1) {
        if (!(result = str_alloc(n, 1, true))) return NULL;
        out = (Py_UCS1 *)((PyASCIIObject *)result + 1);
    }
    switch (map) {
        case MAP_LOWER: case MAP_FOLD: for (Py_ssize_t i = 0; i < n; i++) out[i] = ascii_lower(p[i]); break;
        case MAP_UPPER: for (Py_ssize_t i = 0; i < n; i++) out[i] = ascii_upper(p[i]); break;
        case MAP_CAPITALIZE:
            for (Py_ssize_t i = 0; i < n; i++) out[i] = ascii_lower(p[i]);
            out[0] = ascii_upper(p[0]);
            break;
        case MAP_SWAP: for (Py_ssize_t i = 0; i < n; i++) out[i] = (Py_UCS1)(p[i] ^ ascii_is_alpha(p[i]) << 5); break;
        default: {
            bool in_word = false;
            for (Py_ssize_t i = 0; i < n; i++) {
                out[i] = in_word ? ascii_lower(p[i]) : ascii_upper(p[i]);
                in_word = ascii_is_alpha(p[i]);
            }
        }
    }
    return result ? result : latin1_char(one);
}

PyObject *str_lower(PyObject *self, PyObject *Py_UNUSED(ignored)) { return map_case(self, MAP_LOWER); }
PyObject *str_upper(PyObject *self, PyObject *Py_UNUSED(ignored)) { return map_case(self, MAP_UPPER); }
PyObject *str_title(PyObject *self, PyObject *Py_UNUSED(ignored)) { return map_case(self, MAP_TITLE); }
PyObject *str_capitalize(PyObject *self, PyObject *Py_UNUSED(ignored)) { return map_case(self, MAP_CAPITALIZE); }
PyObject *str_swapcase(PyObject *self, PyObject *Py_UNUSED(ignored)) { return map_case(self, MAP_SWAP); }
PyObject *str_casefold(PyObject *self, PyObject *Py_UNUSED(ignored)) { return map_case(self, MAP_FOLD); }
