/* _heapq: binary heaps in lists; the smallest first, and the largest first for heapq.merge.
 *
 * A comparison may change the list: sizes are checked after each one, and items are held while they are compared. */
#include "modules/support.h"

/* Does a belong above b? 1, 0, -1; -1 too when the list changed its size meanwhile. */
static int above(PyListObject *heap, PyObject *a, PyObject *b, bool max, Py_ssize_t size)
{
    Py_INCREF(a);
    Py_INCREF(b);
    int result = max ? PyObject_RichCompareBool(b, a, Py_LT) : PyObject_RichCompareBool(a, b, Py_LT);
    Py_DECREF(a);
    Py_DECREF(b);
    if (result >= 0 && Py_SIZE(heap) != size) {
        PyErr_SetString(PyExc_RuntimeError, "list changed size during iteration");
        return -1;
    }
    return result;
}

static inline void exchange(PyListObject *heap, Py_ssize_t i, Py_ssize_t j)
{
    PyObject *item = heap->ob_item[i];
    heap->ob_item[i] = heap->ob_item[j];
    heap->ob_item[j] = item;
}

/* Moves the item at pos up while it belongs above its parent, at most to start. */
static int sift_up(PyListObject *heap, Py_ssize_t start, Py_ssize_t pos, bool max)
{
    Py_ssize_t size = Py_SIZE(heap);
    if (pos >= size) {
        PyErr_SetString(PyExc_IndexError, "index out of range");
        return -1;
    }
    while (pos > start) {
        Py_ssize_t parent = (pos - 1) >> 1;
        int higher = above(heap, heap->ob_item[pos], heap->ob_item[parent], max, size);
        if (higher < 0) return -1;
        if (!higher) break;
        exchange(heap, pos, parent);
        pos = parent;
    }
    return 0;
}

/* Lets the item at pos sink: down along the better children to a leaf, then up to where it belongs (fewer comparisons than
 * comparing on the way down, since most items that are put at the top come from the bottom). */
static int sift_down(PyListObject *heap, Py_ssize_t pos, bool max)
{
    Py_ssize_t size = Py_SIZE(heap), start = pos, limit = size >> 1;
    if (pos >= size) {
        PyErr_SetString(PyExc_IndexError, "index out of range");
        return -1;
    }
    while (pos < limit) {
        Py_ssize_t child = 2 * pos + 1;
        if (child + 1 < size) {
            int left = above(heap, heap->ob_item[child], heap->ob_item[child + 1], max, size);
            if (left < 0) return -1;
            if (!left) child++;
        }
        exchange(heap, child, pos);
        pos = child;
    }
    return sift_up(heap, start, pos, max);
}

/* place: " 1" where the function has several arguments. */
static PyListObject *heap_check(const char *function, const char *place, PyObject *o)
{
    if (PyList_Check(o)) return (PyListObject *)o;
    PyErr_Format(PyExc_TypeError, "%s() argument%s must be list, not %.50s", function, place, Py_TYPE(o)->tp_name);
    return NULL;
}

static PyObject *heap_pop(PyListObject *heap, bool max)
{
    Py_ssize_t n = Py_SIZE(heap);
    if (n == 0) {
        PyErr_SetString(PyExc_IndexError, "index out of range");
        return NULL;
    }
    PyObject *last = Py_NewRef(heap->ob_item[n - 1]);
    if (PyList_SetSlice((PyObject *)heap, n - 1, n, NULL) < 0) {
        Py_DECREF(last);
        return NULL;
    }
    if (n == 1) return last;
    PyObject *top = heap->ob_item[0];
    heap->ob_item[0] = last;
    if (sift_down(heap, 0, max) < 0) {
        Py_DECREF(top);
        return NULL;
    }
    return top;
}

static PyObject *heap_replace(PyListObject *heap, PyObject *item, bool max)
{
    if (Py_SIZE(heap) == 0) {
        PyErr_SetString(PyExc_IndexError, "index out of range");
        return NULL;
    }
    PyObject *top = heap->ob_item[0];
    heap->ob_item[0] = Py_NewRef(item);
    if (sift_down(heap, 0, max) < 0) {
        Py_DECREF(top);
        return NULL;
    }
    return top;
}

static PyObject *heap_heapify(PyListObject *heap, bool max)
{
    for (Py_ssize_t i = (Py_SIZE(heap) >> 1) - 1; i >= 0; i--)
        if (sift_down(heap, i, max) < 0) return NULL;
    Py_RETURN_NONE;
}

BUILTIN(heapq, heappush, POSITIONAL, "($module, heap, item, /)", "Push item onto heap, maintaining the heap invariant.")
{
    PyListObject *heap = heap_check("heappush", " 1", arg[0]);
    if (!heap || PyList_Append(arg[0], arg[1]) < 0) return NULL;
    return sift_up(heap, 0, Py_SIZE(heap) - 1, false) < 0 ? NULL : Py_NewRef(Py_None);
}

BUILTIN_O(heapq, heappop, "($module, heap, /)", "Pop the smallest item off the heap, maintaining the heap invariant.")
{
    PyListObject *heap = heap_check("heappop", "", arg);
    return heap ? heap_pop(heap, false) : NULL;
}

BUILTIN_O(heapq, _heappop_max, "($module, heap, /)", "Maxheap variant of heappop.")
{
    PyListObject *heap = heap_check("_heappop_max", "", arg);
    return heap ? heap_pop(heap, true) : NULL;
}

BUILTIN(heapq, heapreplace, POSITIONAL, "($module, heap, item, /)",
        "Pop and return the current smallest value, and add the new item.\n\nThe result may be larger than item.")
{
    PyListObject *heap = heap_check("heapreplace", " 1", arg[0]);
    return heap ? heap_replace(heap, arg[1], false) : NULL;
}

BUILTIN(heapq, _heapreplace_max, POSITIONAL, "($module, heap, item, /)", "Maxheap variant of heapreplace.")
{
    PyListObject *heap = heap_check("_heapreplace_max", " 1", arg[0]);
    return heap ? heap_replace(heap, arg[1], true) : NULL;
}

BUILTIN(heapq, heappushpop, POSITIONAL, "($module, heap, item, /)",
        "Push item on the heap, then pop and return the smallest item from the heap.")
{
    PyListObject *heap = heap_check("heappushpop", " 1", arg[0]);
    if (!heap) return NULL;
    if (Py_SIZE(heap) == 0) return Py_NewRef(arg[1]);
    PyObject *top = Py_NewRef(heap->ob_item[0]);
    int less = PyObject_RichCompareBool(top, arg[1], Py_LT);
    Py_DECREF(top);
    if (less < 0) return NULL;
    return less ? heap_replace(heap, arg[1], false) : Py_NewRef(arg[1]);
}

BUILTIN_O(heapq, heapify, "($module, heap, /)", "Transform list into a heap, in-place, in O(len(heap)) time.")
{
    PyListObject *heap = heap_check("heapify", "", arg);
    return heap ? heap_heapify(heap, false) : NULL;
}

BUILTIN_O(heapq, _heapify_max, "($module, heap, /)", "Maxheap variant of heapify.")
{
    PyListObject *heap = heap_check("_heapify_max", "", arg);
    return heap ? heap_heapify(heap, true) : NULL;
}

static PyMethodDef heapq_methods[] = {
    METHOD(heapq, heappush), METHOD(heapq, heappushpop), METHOD(heapq, heappop), METHOD(heapq, heapreplace), METHOD(heapq, heapify),
    METHOD(heapq, _heappop_max), METHOD(heapq, _heapify_max), METHOD(heapq, _heapreplace_max), { 0 },
};

static int heapq_exec(PyObject *module)
{
    return PyModule_AddStringConstant(module, "__about__",
        "Heap queues\n\nA heap is a list in which heap[k] <= heap[2*k+1] and heap[k] <= heap[2*k+2] for all k, items beyond the end\n"
        "counting as infinite: a binary tree stored level by level. heap[0] is always its smallest item, and adding or\n"
        "removing an item takes O(log n) comparisons along one path of the tree.\n");
}

static PyModuleDef_Slot heapq_slots[] = { SLOT(mod_exec, heapq_exec), MODULE_SLOTS_COMMON, { 0, NULL } };

static struct PyModuleDef heapq_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_heapq",
    .m_doc = "Heap queue algorithm (a.k.a. priority queue).\n\nheappush and heappop keep a list a heap, whose smallest item is heap[0].",
    .m_methods = heapq_methods,
    .m_slots = heapq_slots,
};

PyMODINIT_FUNC PyInit__heapq(void) { return PyModuleDef_Init(&heapq_module); }
