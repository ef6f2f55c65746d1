/* _suggestions: "Did you mean ...?". Damerau-free Levenshtein distance with cheap case changes, bounded. */
#include "taipan.h"
#include "capi/args.h"

#include <string.h>

enum { CANDIDATES_MAX = 750, LENGTH_MAX = 40, MOVE_COST = 2, CASE_COST = 1 };

static size_t substitution_cost(char a, char b)
{
    if (((unsigned char)a & 31) != ((unsigned char)b & 31)) return MOVE_COST;
    if (a == b) return 0;
    char x = a >= 'A' && a <= 'Z' ? (char)(a + 32) : a, y = b >= 'A' && b <= 'Z' ? (char)(b + 32) : b;
    return x == y ? CASE_COST : MOVE_COST;
}

/* The distance of two texts, or more than `most` as soon as it must be. */
static size_t edit_distance(const char *a, size_t m, const char *b, size_t n, size_t most)
{
    size_t row[LENGTH_MAX];
    if (a == b) return 0;
    while (m && n && *a == *b) { a++; b++; m--; n--; }
    while (m && n && a[m - 1] == b[n - 1]) { m--; n--; }
    if (m == 0 || n == 0) return (m + n) * MOVE_COST;
    if (m > LENGTH_MAX || n > LENGTH_MAX) return most + 1;
    if (n < m) {
        const char *t = a; a = b; b = t;
        size_t s = m; m = n; n = s;
    }
    if ((n - m) * MOVE_COST > most) return most + 1;
    for (size_t i = 0; i < m; i++) row[i] = (i + 1) * MOVE_COST;
    size_t result = 0;
    for (size_t bi = 0; bi < n; bi++) {
        size_t distance = result = bi * MOVE_COST, least = SIZE_MAX;
        for (size_t i = 0; i < m; i++) {
            size_t substitute = distance + substitution_cost(b[bi], a[i]);
            distance = row[i];
            size_t other = (result < distance ? result : distance) + MOVE_COST;
            result = substitute < other ? substitute : other;
            row[i] = result;
            if (result < least) least = result;
        }
        if (least > most) return most + 1;
    }
    return result;
}

/* The element of a list that is nearest to name, or NULL without an exception. New reference. */
PyObject *suggestions_nearest(PyObject *list, PyObject *name)
{
    Py_ssize_t count = PyList_GET_SIZE(list), length;
    if (count >= CANDIDATES_MAX) return NULL;
    const char *wanted = PyUnicode_AsUTF8AndSize(name, &length);
    if (!wanted) return NULL;
    size_t best = SIZE_MAX;
    PyObject *found = NULL;
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *item = PyList_GET_ITEM(list, i);
        Py_ssize_t item_length;
        if (!PyUnicode_Check(item)) {
            PyErr_SetString(PyExc_TypeError, "all elements in 'candidates' must be strings");
            return NULL;
        }
        const char *text = PyUnicode_AsUTF8AndSize(item, &item_length);
        if (!text) return NULL;
        if (PyUnicode_Compare(name, item) == 0) continue;
        size_t most = (size_t)(length + item_length + 3) * MOVE_COST / 6;      /* no more than a third may differ */
        if (found && best - 1 < most) most = best - 1;
        size_t distance = edit_distance(wanted, (size_t)length, text, (size_t)item_length, most);
        if (distance > most) continue;
        if (!found || distance < best) {
            found = item;
            best = distance;
        }
    }
    return Py_XNewRef(found);
}

BUILTIN(suggestions, _generate_suggestions, POSITIONAL, "($module, candidates, item, /)",
        "Returns the candidate in candidates that's closest to item")
{
    if (!PyUnicode_Check(arg[1])) {
        PyErr_Format(PyExc_TypeError, "_generate_suggestions() argument 2 must be str, not %.50s",
                     arg[1] == Py_None ? "None" : Py_TYPE(arg[1])->tp_name);
        return NULL;
    }
    if (!PyList_CheckExact(arg[0])) {
        PyErr_SetString(PyExc_TypeError, "candidates must be a list");
        return NULL;
    }
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(arg[0]); i++) {
        if (PyUnicode_Check(PyList_GET_ITEM(arg[0], i))) continue;
        PyErr_SetString(PyExc_TypeError, "all elements in 'candidates' must be strings");
        return NULL;
    }
    PyObject *found = suggestions_nearest(arg[0], arg[1]);
    if (found || PyErr_Occurred()) return found;
    Py_RETURN_NONE;
}

static PyMethodDef suggestions_methods[] = { METHOD(suggestions, _generate_suggestions), {0} };
static PyModuleDef_Slot suggestions_slots[] = { {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED}, {0, NULL} };

static PyModuleDef suggestions_module = {
    PyModuleDef_HEAD_INIT, .m_name = "_suggestions", .m_methods = suggestions_methods, .m_slots = suggestions_slots,
};

PyMODINIT_FUNC PyInit__suggestions(void) { return PyModuleDef_Init(&suggestions_module); }
