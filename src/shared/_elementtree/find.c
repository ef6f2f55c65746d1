/* Looking for elements: find() and its like, which leave whatever is more than a tag to ElementPath, and the iterators. */
#include "elementtree.h"

#include <string.h>

/* ---- find ------------------------------------------------------------------------------------------------------------------- */

static bool path_character(Py_UCS4 c) { return c == '/' || c == '*' || c == '[' || c == '@' || c == '.'; }

/* More than a tag, which may have a {namespace}. */
static bool is_path(PyObject *tag)
{
    if (!PyUnicode_Check(tag) && !PyBytes_Check(tag)) return true;
    bool text = PyUnicode_Check(tag);
    Py_ssize_t n = text ? PyUnicode_GET_LENGTH(tag) : PyBytes_GET_SIZE(tag);
    int kind = text ? (int)PyUnicode_KIND(tag) : PyUnicode_1BYTE_KIND;
    const void *data = text ? PyUnicode_DATA(tag) : PyBytes_AS_STRING(tag);
    if (n >= 3 && PyUnicode_READ(kind, data, 0) == '{'
        && (PyUnicode_READ(kind, data, 1) == '}' || (PyUnicode_READ(kind, data, 1) == '*' && PyUnicode_READ(kind, data, 2) == '}'))) return true;
    bool inside = false;
    for (Py_ssize_t i = 0; i < n; i++) {
        Py_UCS4 c = PyUnicode_READ(kind, data, i);
        if (c == '{') inside = true;
        else if (c == '}') inside = false;
        else if (!inside && path_character(c)) return true;
    }
    return false;
}

static bool simple(PyObject *path, PyObject *namespaces) { return (!namespaces || namespaces == Py_None) && !is_path(path); }

/* The next child from *i with that tag. NEW; NULL with *i past the end, or with an exception. */
static PyObject *next_child(TreeState *state, PyObject *self, PyObject *tag, Py_ssize_t *i)
{
    while (*i < element_length(self)) {
        PyObject *child = Py_NewRef(ELEMENT(self)->extra->children[(*i)++]);
        if (is_element(state, child)) {
            PyObject *other = Py_NewRef(ELEMENT(child)->tag);
            int equal = PyObject_RichCompareBool(other, tag, Py_EQ);
            Py_DECREF(other);
            if (equal > 0) return child;
            if (equal < 0) {
                Py_DECREF(child);
                return NULL;
            }
        }
        Py_DECREF(child);
    }
    return NULL;
}

#define BIND(name, total) \
    PyObject *arg[total]; \
    if (args_bind(&name##_signature, args, nargs, kwnames, arg) < 0) return NULL; \
    TreeState *state = tree_state_of(Py_TYPE(self)); \
    if (!state) return NULL

SIGNATURE(find_signature, "find", KEYWORDS, "($self, /, path, namespaces=None)");
SIGNATURE(findtext_signature, "findtext", KEYWORDS, "($self, /, path, default=None, namespaces=None)");
SIGNATURE(findall_signature, "findall", KEYWORDS, "($self, /, path, namespaces=None)");
SIGNATURE(iterfind_signature, "iterfind", KEYWORDS, "($self, /, path, namespaces=None)");
SIGNATURE(iter_signature, "iter", KEYWORDS, "($self, /, tag=None)");

PyObject *element_find(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    BIND(find, 2);
    if (!simple(arg[0], arg[1])) return PyObject_CallMethod(state->element_path, "find", "OOO", self, arg[0], arg[1] ? arg[1] : Py_None);
    Py_ssize_t i = 0;
    PyObject *child = next_child(state, self, arg[0], &i);
    return child || PyErr_Occurred() ? child : Py_NewRef(Py_None);
}

PyObject *element_findtext(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    BIND(findtext, 3);
    PyObject *otherwise = arg[1] ? arg[1] : Py_None;
    if (!simple(arg[0], arg[2]))
        return PyObject_CallMethod(state->element_path, "findtext", "OOOO", self, arg[0], otherwise, arg[2] ? arg[2] : Py_None);
    Py_ssize_t i = 0;
    PyObject *child = next_child(state, self, arg[0], &i);
    if (!child) return PyErr_Occurred() ? NULL : Py_NewRef(otherwise);
    PyObject *text = ELEMENT(child)->text == Py_None ? PyUnicode_New(0, 0) : Py_NewRef(ELEMENT(child)->text);
    Py_DECREF(child);
    return text;
}

PyObject *element_findall(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    BIND(findall, 2);
    if (!simple(arg[0], arg[1])) return PyObject_CallMethod(state->element_path, "findall", "OOO", self, arg[0], arg[1] ? arg[1] : Py_None);
    PyObject *list = PyList_New(0), *child;
    Py_ssize_t i = 0;
    while (list && (child = next_child(state, self, arg[0], &i))) {
        if (PyList_Append(list, child) < 0) Py_CLEAR(list);
        Py_DECREF(child);
    }
    if (list && PyErr_Occurred()) Py_CLEAR(list);
    return list;
}

PyObject *element_iterfind(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    BIND(iterfind, 2);
    return PyObject_CallMethod(state->element_path, "iterfind", "OOO", self, arg[0], arg[1] ? arg[1] : Py_None);
}

PyObject *element_iter(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    BIND(iter, 1);
    PyObject *tag = arg[0] ? arg[0] : Py_None;
    if (PyUnicode_Check(tag) && PyUnicode_GET_LENGTH(tag) == 1 && PyUnicode_READ_CHAR(tag, 0) == '*') tag = Py_None;
    else if (PyBytes_Check(tag) && PyBytes_GET_SIZE(tag) == 1 && PyBytes_AS_STRING(tag)[0] == '*') tag = Py_None;
    return element_iterator_new(state, self, tag, false);
}

PyObject *element_itertext(PyObject *self, PyObject *Py_UNUSED(unused))
{
    TreeState *state = tree_state_of(Py_TYPE(self));
    return state ? element_iterator_new(state, self, Py_None, true) : NULL;
}

/* ---- iterators ----------------------------------------------------------------------------------------------------------------- */

typedef struct Level { PyObject *element; Py_ssize_t next; } Level;

/* Elements in document order, or their text. The path to where it is: a stack, so that depth costs no recursion. */
typedef struct ElementIterator {
    PyObject_HEAD
    Level *levels;
    size_t depth, size;
    PyObject *root;                           /* until it begins */
    PyObject *tag;
    TreeState *state;
    PyObject *module;                         /* keeps state alive */
    bool text;
} ElementIterator;

enum { LEVELS_FIRST = 8 };

PyObject *element_iterator_new(TreeState *state, PyObject *self, PyObject *tag, bool text)
{
    ElementIterator *it = PyObject_GC_New(ElementIterator, state->iterator);
    if (!it) return NULL;
    it->root = Py_NewRef(self);
    it->tag = Py_NewRef(tag);
    it->state = state;
    it->module = Py_XNewRef(PyType_GetModuleByDef(state->iterator, &elementtree_definition));
    it->text = text;
    it->depth = 0;
    it->size = LEVELS_FIRST;
    it->levels = PyMem_New(Level, LEVELS_FIRST);
    PyObject_GC_Track(it);
    if (it->levels) return OBJECT(it);
    it->size = 0;
    Py_DECREF(it);
    return PyErr_NoMemory();
}

/* Steals element. */
static int level_push(ElementIterator *it, PyObject *element)
{
    if (it->depth == it->size) {
        size_t size = it->size * 2 + LEVELS_FIRST;
        Level *levels = PyMem_Realloc(it->levels, size * sizeof *levels);
        if (!levels) {
            Py_DECREF(element);
            PyErr_NoMemory();
            return -1;
        }
        it->levels = levels;
        it->size = size;
    }
    it->levels[it->depth++] = (Level){ element, 0 };
    return 0;
}

/* 1: text is worth giving; 0: not; -1. Steals text unless 1. */
static int text_counts(PyObject *text)
{
    int truth = text == Py_None ? 0 : PyUnicode_CheckExact(text) ? PyUnicode_GET_LENGTH(text) > 0 : PyObject_IsTrue(text);
    if (truth <= 0) Py_DECREF(text);
    return truth;
}

static PyObject *iterator_step(PyObject *self)
{
    ElementIterator *it = (ElementIterator *)self;
    for (;;) {
        PyObject *element;
        if (it->root) {
            element = it->root;
            it->root = NULL;
        }
        else if (it->depth) {
            Level *level = &it->levels[it->depth - 1];
            if (level->next >= element_length(level->element)) {
                PyObject *done = level->element;
                it->depth--;
                PyObject *tail = it->text && it->depth ? Py_NewRef(ELEMENT(done)->tail) : NULL;   /* only inner text */
                Py_DECREF(done);
                int counts = tail ? text_counts(tail) : 0;
                if (counts) return counts > 0 ? tail : NULL;
                continue;
            }
            element = Py_NewRef(ELEMENT(level->element)->extra->children[level->next++]);
        }
        else return NULL;
        if (level_push(it, Py_NewRef(element)) < 0) {
            Py_DECREF(element);
            return NULL;
        }
        if (it->text) {
            PyObject *text = Py_NewRef(ELEMENT(element)->text);
            Py_DECREF(element);
            int counts = text_counts(text);
            if (counts) return counts > 0 ? text : NULL;
            continue;
        }
        if (it->tag == Py_None || it->tag == ELEMENT(element)->tag) return element;
        PyObject *tag = Py_NewRef(ELEMENT(element)->tag);
        int equal = PyObject_RichCompareBool(tag, it->tag, Py_EQ);
        Py_DECREF(tag);
        if (equal > 0) return element;
        Py_DECREF(element);
        if (equal < 0) return NULL;
    }
}

static int iterator_traverse(PyObject *self, visitproc visit, void *arg)
{
    ElementIterator *it = (ElementIterator *)self;
    VISIT_TYPE(self);
    for (size_t i = 0; i < it->depth; i++) Py_VISIT(it->levels[i].element);
    Py_VISIT(it->root);
    Py_VISIT(it->tag);
    Py_VISIT(it->module);
    return 0;
}

static void iterator_dealloc(PyObject *self)
{
    ElementIterator *it = (ElementIterator *)self;
    PyObject_GC_UnTrack(self);
    while (it->depth) Py_DECREF(it->levels[--it->depth].element);
    PyMem_Free(it->levels);
    Py_XDECREF(it->root);
    Py_XDECREF(it->tag);
    Py_XDECREF(it->module);
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_Del(self);
    Py_DECREF(type);
}

static PyType_Slot iterator_slots[] = {
    SLOT(tp_dealloc, iterator_dealloc), SLOT(tp_traverse, iterator_traverse), SLOT(tp_iter, PyObject_SelfIter), SLOT(tp_iternext, iterator_step), { 0 }
};
PyType_Spec iterator_spec = {
    .name = "_elementtree._element_iterator", .basicsize = sizeof(ElementIterator), .slots = iterator_slots,
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
};
