/* Splitting, stripping and argument conversion for str, bytes and bytearray (text.h).
 *
 * Pieces go into a list made with room for a few; its size is set at the end, so that short results allocate once. */
#include "objects/text.h"

#include "objects/unicode_private.h"

#define S TEXT_SPACE
#define B TEXT_BREAK
const uint8_t text_traits_str[256] = {
    ['\t'] = S, ['\n'] = S | B, ['\v'] = S | B, ['\f'] = S | B, ['\r'] = S | B, [0x1c] = S | B, [0x1d] = S | B, [0x1e] = S | B,
    [0x1f] = S, [' '] = S, [0x85] = S | B, [0xa0] = S,
};
const uint8_t text_traits_bytes[256] = { ['\t'] = S, ['\n'] = S | B, ['\v'] = S, ['\f'] = S, ['\r'] = S | B, [' '] = S };
#undef S
#undef B

static ALWAYS_INLINE bool is_space(const uint8_t *traits, Py_UCS4 c)
{
    return c < 256 ? traits[c] & TEXT_SPACE : _PyUnicode_IsWhitespace(c);
}

static ALWAYS_INLINE bool is_break(const uint8_t *traits, Py_UCS4 c)
{
    return c < 256 ? traits[c] & TEXT_BREAK : c == 0x2028 || c == 0x2029;
}

/* ---- the list ------------------------------------------------------------------------------------------------------ */

enum { PIECES_START = 12 };

typedef struct Pieces { PyObject *list; Py_ssize_t count, room; } Pieces;

static int pieces_init(Pieces *p, Py_ssize_t max)
{
    p->count = 0;
    p->room = max >= PIECES_START ? PIECES_START : max + 1;
    p->list = PyList_New(p->room);
    return p->list ? 0 : -1;
}

static int pieces_add_new(Pieces *p, PyObject *piece)     /* steals */
{
    if (UNLIKELY(!piece)) return -1;
    if (LIKELY(p->count < p->room)) PyList_SET_ITEM(p->list, p->count, piece);
    else {
        int status = PyList_Append(p->list, piece);
        Py_DECREF(piece);
        if (status < 0) return -1;
    }
    p->count++;
    return 0;
}

static int pieces_add(Pieces *p, const Text *t, Py_ssize_t start, Py_ssize_t end)
{
    return pieces_add_new(p, t->piece(t->kind, chars_at(t->kind, t->data, start), end - start));
}

static int pieces_add_last(Pieces *p, const Text *t, Py_ssize_t start, Py_ssize_t end)
{
    if (p->count == 0 && start == 0 && end == t->length && t->whole) return pieces_add_new(p, Py_NewRef(t->whole));
    return pieces_add(p, t, start, end);
}

static PyObject *pieces_finish(Pieces *p)
{
    Py_SET_SIZE(p->list, p->count);
    return p->list;
}

static PyObject *pieces_fail(Pieces *p)
{
    Py_DECREF(p->list);
    return NULL;
}

static PyObject *pieces_reverse(Pieces *p)
{
    Py_SET_SIZE(p->list, p->count);
    if (PyList_Reverse(p->list) < 0) return pieces_fail(p);
    return p->list;
}

/* ---- splitting ----------------------------------------------------------------------------------------------------- */

PyObject *text_split_space(const Text *t, Py_ssize_t max)
{
    Pieces pieces;
    if (max < 0) max = PY_SSIZE_T_MAX - 1;
    if (pieces_init(&pieces, max) < 0) return NULL;
    Py_ssize_t n = t->length, i = 0;
    const uint8_t *traits = t->traits;
    WITH_KIND(t->kind, {
        const CHAR *p = t->data;
        for (;; max--) {
            while (i < n && is_space(traits, p[i])) i++;
            if (i == n || max <= 0) break;
            Py_ssize_t start = i++;
            while (i < n && !is_space(traits, p[i])) i++;
            if ((i == n ? pieces_add_last(&pieces, t, start, i) : pieces_add(&pieces, t, start, i)) < 0) return pieces_fail(&pieces);
        }
        if (i < n && pieces_add_last(&pieces, t, i, n) < 0) return pieces_fail(&pieces);     /* the limit was reached */
    });
    return pieces_finish(&pieces);
}

PyObject *text_rsplit_space(const Text *t, Py_ssize_t max)
{
    Pieces pieces;
    if (max < 0) max = PY_SSIZE_T_MAX - 1;
    if (pieces_init(&pieces, max) < 0) return NULL;
    Py_ssize_t i = t->length;
    const uint8_t *traits = t->traits;
    WITH_KIND(t->kind, {
        const CHAR *p = t->data;
        for (;; max--) {
            while (i > 0 && is_space(traits, p[i - 1])) i--;
            if (i == 0 || max <= 0) break;
            Py_ssize_t end = i--;
            while (i > 0 && !is_space(traits, p[i - 1])) i--;
            if ((i == 0 ? pieces_add_last(&pieces, t, i, end) : pieces_add(&pieces, t, i, end)) < 0) return pieces_fail(&pieces);
        }
        if (i > 0 && pieces_add_last(&pieces, t, 0, i) < 0) return pieces_fail(&pieces);
    });
    return pieces_reverse(&pieces);
}

PyObject *text_split(const Text *t, const void *sep, Py_ssize_t m, Py_ssize_t max)
{
    Pieces pieces;
    if (max < 0) max = PY_SSIZE_T_MAX - 1;
    if (pieces_init(&pieces, max) < 0) return NULL;
    Py_ssize_t n = t->length, i = 0;
    Py_UCS4 one = PyUnicode_READ(t->kind, sep, 0);
    for (; max > 0; max--) {
        const void *rest = chars_at(t->kind, t->data, i);
        Py_ssize_t found = m == 1 ? chars_find_char(t->kind, rest, n - i, one) : chars_find(t->kind, rest, n - i, sep, m);
        if (found < 0) break;
        if (pieces_add(&pieces, t, i, i + found) < 0) return pieces_fail(&pieces);
        i += found + m;
    }
    if (pieces_add_last(&pieces, t, i, n) < 0) return pieces_fail(&pieces);
    return pieces_finish(&pieces);
}

PyObject *text_rsplit(const Text *t, const void *sep, Py_ssize_t m, Py_ssize_t max)
{
    Pieces pieces;
    if (max < 0) max = PY_SSIZE_T_MAX - 1;
    if (pieces_init(&pieces, max) < 0) return NULL;
    Py_ssize_t end = t->length;
    for (; max > 0; max--) {
        Py_ssize_t found = m == 1 ? chars_rfind_char(t->kind, t->data, end, PyUnicode_READ(t->kind, sep, 0))
                                  : chars_rfind(t->kind, t->data, end, sep, m);
        if (found < 0) break;
        if (pieces_add(&pieces, t, found + m, end) < 0) return pieces_fail(&pieces);
        end = found;
    }
    if (pieces_add_last(&pieces, t, 0, end) < 0) return pieces_fail(&pieces);
    return pieces_reverse(&pieces);
}

PyObject *text_split_lines(const Text *t, bool keep_ends)
{
    Pieces pieces;
    if (pieces_init(&pieces, PY_SSIZE_T_MAX - 1) < 0) return NULL;
    Py_ssize_t n = t->length, i = 0;
    const uint8_t *traits = t->traits;
    WITH_KIND(t->kind, {
        const CHAR *p = t->data;
        while (i < n) {
            Py_ssize_t start = i;
            while (i < n && !is_break(traits, p[i])) i++;
            Py_ssize_t end = i;
            if (i < n) {
                i += p[i] == '\r' && i + 1 < n && p[i + 1] == '\n' ? 2 : 1;
                if (keep_ends) end = i;
            }
            if ((i == n ? pieces_add_last(&pieces, t, start, end) : pieces_add(&pieces, t, start, end)) < 0) return pieces_fail(&pieces);
        }
    });
    return pieces_finish(&pieces);
}

/* ---- stripping ----------------------------------------------------------------------------------------------------- */

void text_strip_space(const Text *t, int sides, Py_ssize_t *start, Py_ssize_t *end)
{
    Py_ssize_t i = 0, j = t->length;
    const uint8_t *traits = t->traits;
    WITH_KIND(t->kind, {
        const CHAR *p = t->data;
        if (sides & STRIP_LEFT) while (i < j && is_space(traits, p[i])) i++;
        if (sides & STRIP_RIGHT) while (j > i && is_space(traits, p[j - 1])) j--;
    });
    *start = i;
    *end = j;
}

typedef struct CharSet { uint64_t low[4]; int kind; const void *chars; Py_ssize_t n; } CharSet;

static bool set_has(const CharSet *set, Py_UCS4 c)
{
    if (c < 256) return set->low[c >> 6] >> (c & 63) & 1;
    return chars_find_char(set->kind, set->chars, set->n, c) >= 0;
}

void text_strip_chars(const Text *t, int kind, const void *chars, Py_ssize_t m, int sides, Py_ssize_t *start, Py_ssize_t *end)
{
    CharSet set = { { 0 }, kind, chars, m };
    for (Py_ssize_t i = 0; i < m; i++) {
        Py_UCS4 c = PyUnicode_READ(kind, chars, i);
        if (c < 256) set.low[c >> 6] |= (uint64_t)1 << (c & 63);
    }
    Py_ssize_t i = 0, j = t->length;
    if (sides & STRIP_LEFT) while (i < j && set_has(&set, PyUnicode_READ(t->kind, t->data, i))) i++;
    if (sides & STRIP_RIGHT) while (j > i && set_has(&set, PyUnicode_READ(t->kind, t->data, j - 1))) j--;
    *start = i;
    *end = j;
}

/* ---- arguments ----------------------------------------------------------------------------------------------------- */

/* "slice indices must be integers or None or have an __index__ method"; value NULL or None leaves *index. 0 or -1. */
static int text_slice_index(PyObject *value, Py_ssize_t *index)
{
    if (!value || Py_IsNone(value)) return 0;
    if (!PyIndex_Check(value)) {
        PyErr_SetString(PyExc_TypeError, "slice indices must be integers or None or have an __index__ method");
        return -1;
    }
    Py_ssize_t i = PyNumber_AsSsize_t(value, NULL);        /* clips */
    if (i == -1 && PyErr_Occurred()) return -1;
    *index = i;
    return 0;
}

int text_find_args(const char *name, PyObject *const *args, Py_ssize_t nargs, Py_ssize_t *start, Py_ssize_t *end)
{
    *start = 0;
    *end = PY_SSIZE_T_MAX;
    if (nargs < 1 || nargs > 3) {
        PyErr_Format(PyExc_TypeError, "%.200s expected at %s %d argument%s, got %zd", name, nargs < 1 ? "least" : "most",
                     nargs < 1 ? 1 : 3, nargs < 1 ? "" : "s", nargs);
        return -1;
    }
    if (nargs > 1 && text_slice_index(args[1], start) < 0) return -1;
    if (nargs > 2 && text_slice_index(args[2], end) < 0) return -1;
    return 0;
}

int text_ssize_arg(PyObject *o, Py_ssize_t *value)
{
    PyObject *index = PyNumber_Index(o);
    if (!index) return -1;
    *value = PyLong_AsSsize_t(index);
    Py_DECREF(index);
    return *value == -1 && PyErr_Occurred() ? -1 : 0;
}

int text_int_arg(PyObject *o, int *value)
{
    *value = PyLong_AsInt(o);
    return *value == -1 && PyErr_Occurred() ? -1 : 0;
}

int text_wrong_type(const char *function, const char *argument, const char *expected, PyObject *o)
{
    PyErr_Format(PyExc_TypeError, "%.200s() %.200s must be %.50s, not %.50s", function, argument, expected,
                 o == Py_None ? "None" : Py_TYPE(o)->tp_name);
    return -1;
}

const char *text_codec_arg(const char *function, const char *argument, PyObject *o)
{
    Py_ssize_t size;
    if (!PyUnicode_Check(o)) {
        text_wrong_type(function, argument, "str", o);
        return NULL;
    }
    const char *text = PyUnicode_AsUTF8AndSize(o, &size);
    if (text && strlen(text) != (size_t)size) {
        PyErr_SetString(PyExc_ValueError, "embedded null character");
        return NULL;
    }
    return text;
}
