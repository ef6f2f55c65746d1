/* _bisect: binary search and insertion in sorted sequences. */
#include "modules/support.h"

/* ---- search ----------------------------------------------------------------------------------------------------------------- */

typedef struct Search {
    PyObject *list, *item, *key;              /* key: function or NULL */
    Py_ssize_t low, high;
} Search;

/* Takes the arguments (a, x, lo=0, hi=None, *, key=None) apart. */
static int search_init(Search *s, PyObject *const *arg)
{
    *s = (Search){ arg[0], arg[1], arg[4] == Py_None ? NULL : arg[4], 0, -1 };
    if (arg[2]) {
        PyObject *index = PyNumber_Index(arg[2]);
        if (!index) return -1;
        s->low = PyLong_AsSsize_t(index);
        Py_DECREF(index);
        if (s->low == -1 && PyErr_Occurred()) return -1;
    }
    if (arg[3] && arg[3] != Py_None) {
        if (!PyIndex_Check(arg[3])) {
            PyErr_Format(PyExc_TypeError, "argument should be integer or None, not '%.200s'", Py_TYPE(arg[3])->tp_name);
            return -1;
        }
        s->high = PyNumber_AsSsize_t(arg[3], PyExc_OverflowError);
        if (s->high == -1 && PyErr_Occurred()) return -1;
    }
    return 0;
}

/* a < b, where both may be of one type whose comparison is called directly. */
static int less_than(PyObject *a, PyObject *b)
{
    richcmpfunc compare = Py_TYPE(a)->tp_richcompare;
    if (PyLong_CheckExact(a)) return PyObject_RichCompareBool(a, b, Py_LT);
    if (compare && Py_TYPE(a) == Py_TYPE(b)) {
        PyObject *result = compare(a, b, Py_LT);
        if (!result) return -1;
        int known = result == Py_True ? 1 : result == Py_False ? 0 : -1;
        Py_DECREF(result);
        if (known >= 0) return known;
    }
    return PyObject_RichCompareBool(a, b, Py_LT);
}

/* Where item belongs: right of its equals, or left of them. -1 with an exception. x: the item's key. */
static Py_ssize_t search(Search *s, PyObject *x, bool right)
{
    if (s->low < 0) {
        PyErr_SetString(PyExc_ValueError, "lo must be non-negative");
        return -1;
    }
    if (s->high == -1 && (s->high = PySequence_Size(s->list)) < 0) return -1;
    PySequenceMethods *methods = Py_TYPE(s->list)->tp_as_sequence;
    ssizeargfunc item_at = methods && methods->sq_item ? methods->sq_item : PySequence_GetItem;      /* that raises the TypeError */
    while (s->low < s->high) {
        Py_ssize_t middle = (Py_ssize_t)(((size_t)s->low + (size_t)s->high) / 2);
        PyObject *found = item_at(s->list, middle);
        if (!found) return -1;
        if (s->key) {
            PyObject *key = PyObject_CallOneArg(s->key, found);
            Py_DECREF(found);
            if (!(found = key)) return -1;
        }
        int less = right ? less_than(x, found) : less_than(found, x);
        Py_DECREF(found);
        if (less < 0) return -1;
        if (less == right) s->high = middle;
        else s->low = middle + 1;
    }
    return s->low;
}

static PyObject *bisect(PyObject *const *arg, bool right)
{
    Search s;
    if (search_init(&s, arg) < 0) return NULL;
    Py_ssize_t at = search(&s, s.item, right);
    return at < 0 ? NULL : PyLong_FromSsize_t(at);
}

static PyObject *insort(PyObject *const *arg, bool right)
{
    Search s;
    if (search_init(&s, arg) < 0) return NULL;
    PyObject *x = s.key ? PyObject_CallOneArg(s.key, s.item) : Py_NewRef(s.item);
    if (!x) return NULL;
    Py_ssize_t at = search(&s, x, right);
    Py_DECREF(x);
    if (at < 0) return NULL;
    if (PyList_CheckExact(s.list)) return PyList_Insert(s.list, at, s.item) < 0 ? NULL : Py_NewRef(Py_None);
    PyObject *none = PyObject_CallMethod(s.list, "insert", "nO", at, s.item);
    if (!none) return NULL;
    Py_DECREF(none);
    Py_RETURN_NONE;
}

#define SEARCH_SIGNATURE "($module, /, a, x, lo=0, hi=None, *, key=None)"

BUILTIN(bisect, bisect_right, KEYWORDS, SEARCH_SIGNATURE,
        "Return the index where to insert item x in list a, assuming a is sorted.\n\nAll items left of it are <= x, all right of it > x.")
{
    return bisect(arg, true);
}
BUILTIN(bisect, bisect_left, KEYWORDS, SEARCH_SIGNATURE,
        "Return the index where to insert item x in list a, assuming a is sorted.\n\nAll items left of it are < x, all right of it >= x.")
{
    return bisect(arg, false);
}
BUILTIN(bisect, insort_right, KEYWORDS, SEARCH_SIGNATURE, "Insert item x in list a, and keep it sorted; to the right of its equals.")
{
    return insort(arg, true);
}
BUILTIN(bisect, insort_left, KEYWORDS, SEARCH_SIGNATURE, "Insert item x in list a, and keep it sorted; to the left of its equals.")
{
    return insort(arg, false);
}

static PyMethodDef bisect_methods[] = {
    METHOD(bisect, bisect_right), METHOD(bisect, insort_right), METHOD(bisect, bisect_left), METHOD(bisect, insort_left), { 0 },
};
static PyModuleDef_Slot bisect_slots[] = { MODULE_SLOTS_COMMON, { 0, NULL } };

static struct PyModuleDef bisect_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_bisect",
    .m_doc = "Bisection algorithms.\n\nFor a list that is kept sorted by inserting where the item belongs.",
    .m_methods = bisect_methods,
    .m_slots = bisect_slots,
};

PyMODINIT_FUNC PyInit__bisect(void) { return PyModuleDef_Init(&bisect_module); }
