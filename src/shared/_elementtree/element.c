/* The class Element: tag, attributes, text, and a list of children. */
#include "elementtree.h"

#include <string.h>

/* ---- storage ------------------------------------------------------------------------------------------------------------ */

static int extra_make(Element *e)
{
    if (e->extra) return 0;
    Extra *x = PyMem_Malloc(sizeof *x);
    if (!x) {
        PyErr_NoMemory();
        return -1;
    }
    x->attrib = NULL;
    x->length = 0;
    x->allocated = CHILDREN_INLINE;
    x->children = x->few;
    e->extra = x;
    return 0;
}

static void extra_free(Extra *x)
{
    if (!x) return;
    Py_XDECREF(x->attrib);
    for (Py_ssize_t i = 0; i < x->length; i++) Py_XDECREF(x->children[i]);
    if (x->children != x->few) PyMem_Free(x->children);
    PyMem_Free(x);
}

/* Room for more children. */
static int children_reserve(Element *e, Py_ssize_t more)
{
    if (extra_make(e) < 0) return -1;
    Extra *x = e->extra;
    if (more <= x->allocated - x->length) return 0;
    if (more > PY_SSIZE_T_MAX / 16 - x->length) {
        PyErr_NoMemory();
        return -1;
    }
    Py_ssize_t size = x->length + more;
    size += (size >> 3) + (size < 9 ? 3 : 6);
    PyObject **children;
    if (x->children != x->few) children = PyMem_Realloc(x->children, (size_t)size * sizeof *children);
    else if ((children = PyMem_Malloc((size_t)size * sizeof *children))) memcpy(children, x->few, (size_t)x->length * sizeof *children);
    if (!children) {
        PyErr_NoMemory();
        return -1;
    }
    x->children = children;
    x->allocated = size;
    return 0;
}

static PyObject *element_allocate(PyTypeObject *type)
{
    Element *e = PyObject_GC_New(Element, type);
    if (!e) return NULL;
    e->tag = Py_None;
    e->text = Py_None;
    e->tail = Py_None;
    e->extra = NULL;
    e->weakrefs = NULL;
    return OBJECT(e);
}

PyObject *element_make(TreeState *state, PyObject *tag, PyObject *attrib)
{
    PyObject *o = element_allocate(state->element);
    if (!o) return NULL;
    ELEMENT(o)->tag = Py_NewRef(tag);
    if (attrib) {
        if (extra_make(ELEMENT(o)) < 0) {
            Py_DECREF(o);
            return NULL;
        }
        ELEMENT(o)->extra->attrib = Py_NewRef(attrib);
    }
    PyObject_GC_Track(o);
    return o;
}

int element_require(TreeState *state, PyObject *o)
{
    if (LIKELY(is_element(state, o))) return 0;
    PyErr_Format(PyExc_TypeError, "expected an Element, not \"%.200s\"", Py_TYPE(o)->tp_name);
    return -1;
}

int element_add(PyObject *self, PyObject *child)
{
    if (children_reserve(ELEMENT(self), 1) < 0) return -1;
    Extra *x = ELEMENT(self)->extra;
    x->children[x->length++] = Py_NewRef(child);
    return 0;
}

/* Releases objects that are no longer in the tree. */
static void release_all(PyObject **objects, Py_ssize_t n)
{
    for (Py_ssize_t i = 0; i < n; i++) Py_XDECREF(objects[i]);
    PyMem_Free(objects);
}

/* BORROWED: the attributes' dict, made when it is asked for. */
static PyObject *attrib_get(Element *e)
{
    if (extra_make(e) < 0) return NULL;
    if (!e->extra->attrib) e->extra->attrib = PyDict_New();
    return e->extra->attrib;
}

/* ---- making ---------------------------------------------------------------------------------------------------------------- */

static PyObject *element_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *o = type->tp_alloc(type, 0);
    if (!o) return NULL;
    Element *e = ELEMENT(o);
    e->tag = Py_NewRef(Py_None);
    e->text = Py_NewRef(Py_None);
    e->tail = Py_NewRef(Py_None);
    return o;
}

/* A new dict of attrib (a dict or NULL) and keywords, of which `attrib` may be one when there is no other; NULL and *fine for none. */
static PyObject *attributes(PyObject *attrib, PyObject *kwargs, bool *fine)
{
    PyObject *result = NULL;
    *fine = false;
    if (attrib) {
        result = PyDict_Copy(attrib);
        if (!result || (kwargs && PyDict_Update(result, kwargs) < 0)) goto fail;
    }
    else if (kwargs && PyDict_GET_SIZE(kwargs)) {
        PyObject *given = PyDict_GetItemString(kwargs, "attrib");
        if (given && !PyDict_Check(given)) {
            PyErr_Format(PyExc_TypeError, "attrib must be dict, not %.100s", Py_TYPE(given)->tp_name);
            goto fail;
        }
        if (given) {
            Py_INCREF(given);
            result = PyDict_Copy(given);
            Py_DECREF(given);
            PyObject *rest = result ? PyDict_Copy(kwargs) : NULL;
            int status = rest && PyDict_DelItemString(rest, "attrib") == 0 ? PyDict_Update(result, rest) : -1;
            Py_XDECREF(rest);
            if (status < 0) goto fail;
        }
        else if (!(result = PyDict_Copy(kwargs))) goto fail;
    }
    *fine = true;
    return result;
fail:
    Py_XDECREF(result);
    return NULL;
}

static int element_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    Element *e = ELEMENT(self);
    PyObject *tag, *attrib = NULL;
    bool fine;
    if (!PyArg_ParseTuple(args, "O|O!:Element", &tag, &PyDict_Type, &attrib)) return -1;
    attrib = attributes(attrib, kwargs, &fine);
    if (!fine) return -1;
    if (attrib) {
        if (extra_make(e) < 0) {
            Py_DECREF(attrib);
            return -1;
        }
        SET_FIELD(e->extra->attrib, attrib);
    }
    SET_FIELD(e->tag, Py_NewRef(tag));
    SET_FIELD(e->text, Py_NewRef(Py_None));
    SET_FIELD(e->tail, Py_NewRef(Py_None));
    return 0;
}

/* The module's function SubElement. */
PyObject *tree_subelement(PyObject *module, PyObject *args, PyObject *kwargs)
{
    TreeState *state = tree_state(module);
    PyObject *parent, *tag, *attrib = NULL;
    bool fine;
    if (!PyArg_ParseTuple(args, "O!O|O!:SubElement", state->element, &parent, &tag, &PyDict_Type, &attrib)) return NULL;
    attrib = attributes(attrib, kwargs, &fine);
    if (!fine) return NULL;
    PyObject *o = element_make(state, tag, attrib);
    Py_XDECREF(attrib);
    if (o && element_add(parent, o) < 0) Py_CLEAR(o);
    return o;
}

static int element_traverse(PyObject *self, visitproc visit, void *arg)
{
    Element *e = ELEMENT(self);
    VISIT_TYPE(self);
    Py_VISIT(e->tag);
    Py_VISIT(e->text);
    Py_VISIT(e->tail);
    if (e->extra) {
        Py_VISIT(e->extra->attrib);
        for (Py_ssize_t i = 0; i < e->extra->length; i++) Py_VISIT(e->extra->children[i]);
    }
    return 0;
}

static int element_gc_clear(PyObject *self)
{
    Element *e = ELEMENT(self);
    Extra *extra = e->extra;
    e->extra = NULL;
    SET_FIELD(e->tag, Py_NewRef(Py_None));
    SET_FIELD(e->text, Py_NewRef(Py_None));
    SET_FIELD(e->tail, Py_NewRef(Py_None));
    extra_free(extra);
    return 0;
}

static void element_dealloc(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    Py_TRASHCAN_BEGIN(self, element_dealloc)
    Element *e = ELEMENT(self);
    if (e->weakrefs) PyObject_ClearWeakRefs(self);
    Extra *extra = e->extra;
    e->extra = NULL;
    Py_XDECREF(e->tag);
    Py_XDECREF(e->text);
    Py_XDECREF(e->tail);
    extra_free(extra);
    free_instance(self);
    Py_TRASHCAN_END
}

/* ---- copies ------------------------------------------------------------------------------------------------------------------ */

BUILTIN_NOARGS(element, __copy__, "($self, /)", "A copy that shares attributes and children.")
{
    TreeState *state = tree_state_of(Py_TYPE(self));
    Element *e = ELEMENT(self);
    PyObject *o = state ? element_make(state, e->tag, e->extra ? e->extra->attrib : NULL) : NULL;
    if (!o) return NULL;
    SET_FIELD(ELEMENT(o)->text, Py_NewRef(e->text));
    SET_FIELD(ELEMENT(o)->tail, Py_NewRef(e->tail));
    Py_ssize_t n = element_length(self);
    if (n && children_reserve(ELEMENT(o), n) < 0) {
        Py_DECREF(o);
        return NULL;
    }
    for (Py_ssize_t i = 0; i < n; i++) ELEMENT(o)->extra->children[i] = Py_NewRef(e->extra->children[i]);
    if (n) ELEMENT(o)->extra->length = n;
    return o;
}

static PyObject *element_deepcopy(TreeState *state, PyObject *self, PyObject *memo);

static bool plain(PyObject *o) { return PyUnicode_CheckExact(o) || o == Py_None || PyLong_CheckExact(o) || PyBytes_CheckExact(o); }

static bool plain_dict(PyObject *o)
{
    if (!PyDict_CheckExact(o)) return false;
    Py_ssize_t at = 0;
    PyObject *key, *value;
    while (PyDict_Next(o, &at, &key, &value))
        if (!plain(key) || !plain(value)) return false;
    return true;
}

static PyObject *deepcopy(TreeState *state, PyObject *o, PyObject *memo)
{
    if (plain(o)) return Py_NewRef(o);
    if (Py_REFCNT(o) == 1) {                  /* nobody else has it, so the memo need not know */
        if (plain_dict(o)) return PyDict_Copy(o);
        if (Py_IS_TYPE(o, state->element)) {
            Py_INCREF(o);                     /* memo methods, and what is in the tree, may drop it */
            PyObject *copy = element_deepcopy(state, o, memo);
            Py_DECREF(o);
            return copy;
        }
    }
    Py_INCREF(o);
    PyObject *copy = PyObject_CallFunctionObjArgs(state->deepcopy, o, memo, NULL);
    Py_DECREF(o);
    return copy;
}

/* Copies the children of self into o. */
static int children_deepcopy(TreeState *state, PyObject *self, PyObject *o, PyObject *memo)
{
    for (Py_ssize_t i = 0; i < element_length(self); i++) {
        PyObject *child = deepcopy(state, ELEMENT(self)->extra->children[i], memo);
        int status = child ? element_require(state, child) : -1;
        if (status == 0) status = element_add(o, child);
        Py_XDECREF(child);
        if (status < 0) return -1;
    }
    return 0;
}

static PyObject *element_deepcopy(TreeState *state, PyObject *self, PyObject *memo)
{
    if (Py_EnterRecursiveCall(" while copying an Element")) return NULL;
    Element *e = ELEMENT(self);
    PyObject *tag = deepcopy(state, e->tag, memo), *attrib = NULL, *o = NULL, *key = NULL, *copy;
    if (!tag) goto done;
    if (e->extra && e->extra->attrib && !(attrib = deepcopy(state, e->extra->attrib, memo))) goto done;
    if (attrib && !PyDict_Check(attrib)) {
        PyErr_Format(PyExc_TypeError, "attrib must be dict, not %.200s", Py_TYPE(attrib)->tp_name);
        goto done;
    }
    if (!(o = element_make(state, tag, attrib))) goto done;
    if (!(copy = deepcopy(state, e->text, memo))) goto fail;
    SET_FIELD(ELEMENT(o)->text, copy);
    if (!(copy = deepcopy(state, e->tail, memo))) goto fail;
    SET_FIELD(ELEMENT(o)->tail, copy);
    if (children_deepcopy(state, self, o, memo) < 0) goto fail;
    if ((key = PyLong_FromVoidPtr(self)) && PyDict_SetItem(memo, key, o) == 0) goto done;
fail:
    Py_CLEAR(o);
done:
    Py_LeaveRecursiveCall();
    Py_XDECREF(tag);
    Py_XDECREF(attrib);
    Py_XDECREF(key);
    return o;
}

BUILTIN_O(element, __deepcopy__, "($self, memo, /)", "A copy of the whole tree.")
{
    TreeState *state = tree_state_of(Py_TYPE(self));
    if (!state) return NULL;
    if (PyDict_Check(arg)) return element_deepcopy(state, self, arg);
    return PyErr_Format(PyExc_TypeError, "__deepcopy__() argument must be dict, not %.50s", arg == Py_None ? "None" : Py_TYPE(arg)->tp_name);
}

BUILTIN_NOARGS(element, __getstate__, "($self, /)", "For pickle.")
{
    Element *e = ELEMENT(self);
    Py_ssize_t n = element_length(self);
    PyObject *children = PyList_New(n);
    if (!children) return NULL;
    for (Py_ssize_t i = 0; i < n; i++) PyList_SET_ITEM(children, i, Py_NewRef(e->extra->children[i]));
    PyObject *attrib = e->extra && e->extra->attrib ? Py_NewRef(e->extra->attrib) : PyDict_New();
    if (!attrib) {
        Py_DECREF(children);
        return NULL;
    }
    return Py_BuildValue("{sOsNsNsOsO}", "tag", e->tag, "_children", children, "attrib", attrib, "text", e->text, "tail", e->tail);
}

/* Takes over what pickle kept. children is a list, or NULL. */
static PyObject *restore(PyObject *self, PyObject *tag, PyObject *attrib, PyObject *text, PyObject *tail, PyObject *children)
{
    TreeState *state = tree_state_of(Py_TYPE(self));
    if (!state) return NULL;
    if (!tag) return PyErr_Format(PyExc_TypeError, "tag may not be NULL");
    if (children && !PyList_Check(children)) return PyErr_Format(PyExc_TypeError, "'_children' is not a list");
    Py_ssize_t n = children ? PyList_GET_SIZE(children) : 0;
    for (Py_ssize_t i = 0; i < n; i++)
        if (element_require(state, PyList_GET_ITEM(children, i)) < 0) return NULL;
    if (attrib && !PyDict_Check(attrib)) return PyErr_Format(PyExc_TypeError, "attrib must be dict, not %.200s", Py_TYPE(attrib)->tp_name);

    Element *e = ELEMENT(self);
    Element fresh = { .extra = NULL };
    if ((n && children_reserve(&fresh, n) < 0) || (attrib && extra_make(&fresh) < 0)) return NULL;
    if (attrib) fresh.extra->attrib = Py_NewRef(attrib);
    for (Py_ssize_t i = 0; i < n; i++) fresh.extra->children[i] = Py_NewRef(PyList_GET_ITEM(children, i));
    if (n) fresh.extra->length = n;
    Extra *old = e->extra;
    e->extra = fresh.extra;
    SET_FIELD(e->tag, Py_NewRef(tag));
    SET_FIELD(e->text, Py_NewRef(text ? text : Py_None));
    SET_FIELD(e->tail, Py_NewRef(tail ? tail : Py_None));
    extra_free(old);
    Py_RETURN_NONE;
}

BUILTIN_O(element, __setstate__, "($self, state, /)", "For pickle.")
{
    static const char *const names[] = { "tag", "attrib", "text", "tail", "_children", NULL };
    PyObject *tag = NULL, *attrib = NULL, *text = NULL, *tail = NULL, *children = NULL;
    if (!PyDict_CheckExact(arg)) return PyErr_Format(PyExc_TypeError, "Don't know how to unpickle \"%.200R\" as an Element", arg);
    PyObject *none = PyTuple_New(0), *state = none ? PyDict_Copy(arg) : NULL, *result = NULL;
    if (state && PyArg_ParseTupleAndKeywords(none, state, "|$OOOOO", (char **)names, &tag, &attrib, &text, &tail, &children))
        result = restore(self, tag, attrib, text, tail, children);
    Py_XDECREF(none);
    Py_XDECREF(state);
    return result;
}

BUILTIN_NOARGS(element, __sizeof__, "($self, /)", "Bytes of the element itself, children not counted.")
{
    Extra *x = ELEMENT(self)->extra;
    size_t size = (size_t)Py_TYPE(self)->tp_basicsize;
    if (x) size += sizeof *x + (x->children == x->few ? 0 : (size_t)x->allocated * sizeof *x->children);
    return PyLong_FromSize_t(size);
}

/* ---- children ---------------------------------------------------------------------------------------------------------------- */

static TreeState *state_for(PyObject *self, PyObject *child, const char *what)
{
    TreeState *state = tree_state_of(Py_TYPE(self));
    if (!state || is_element(state, child)) return state;
    PyErr_Format(PyExc_TypeError, "%s must be %s, not %.50s", what, state->element->tp_name, child == Py_None ? "None" : Py_TYPE(child)->tp_name);
    return NULL;
}

BUILTIN(element, append, KEYWORDS, "($self, subelement, /)", "Add an element at the end.")
{
    if (!state_for(self, arg[0], "append() argument 1") || element_add(self, arg[0]) < 0) return NULL;
    Py_RETURN_NONE;
}

BUILTIN(element, extend, KEYWORDS, "($self, elements, /)", "Add elements at the end.")
{
    TreeState *state = tree_state_of(Py_TYPE(self));
    PyObject *sequence = state ? PySequence_Fast(arg[0], "'elements' must be an iterable") : NULL;
    if (!sequence) return NULL;
    int status = 0;
    for (Py_ssize_t i = 0; status == 0 && i < PySequence_Fast_GET_SIZE(sequence); i++) {
        PyObject *child = PySequence_Fast_GET_ITEM(sequence, i);
        status = element_require(state, child);
        if (status == 0) status = element_add(self, child);
    }
    Py_DECREF(sequence);
    if (status < 0) return NULL;
    Py_RETURN_NONE;
}

BUILTIN(element, insert, POSITIONAL, "($self, index, subelement, /)", "Put an element in front of the index.")
{
    Py_ssize_t index;
    if (size_argument(arg[0], 0, &index) < 0 || !state_for(self, arg[1], "insert() argument 2")) return NULL;
    if (children_reserve(ELEMENT(self), 1) < 0) return NULL;
    Extra *x = ELEMENT(self)->extra;
    if (index < 0 && (index += x->length) < 0) index = 0;
    if (index > x->length) index = x->length;
    memmove(x->children + index + 1, x->children + index, (size_t)(x->length - index) * sizeof *x->children);
    x->children[index] = Py_NewRef(arg[1]);
    x->length++;
    Py_RETURN_NONE;
}

/* Takes a child out and hands its reference over. */
static PyObject *child_take(Extra *x, Py_ssize_t i)
{
    PyObject *child = x->children[i];
    x->length--;
    memmove(x->children + i, x->children + i + 1, (size_t)(x->length - i) * sizeof *x->children);
    return child;
}

BUILTIN_O(element, remove, "($self, subelement, /)", "Take an element out of the children.")
{
    if (!state_for(self, arg, "remove() argument")) return NULL;
    Py_ssize_t i = 0;
    int equal = 0;
    for (; i < element_length(self); i++) {
        PyObject *child = Py_NewRef(ELEMENT(self)->extra->children[i]);
        equal = PyObject_RichCompareBool(child, arg, Py_EQ);
        Py_DECREF(child);
        if (equal < 0) return NULL;
        if (equal) break;
    }
    if (!equal) return PyErr_Format(PyExc_ValueError, "list.remove(x): x not in list");
    /* Comparing may have taken it out, and others too: as with lists, the place counts. */
    if (i < element_length(self)) Py_DECREF(child_take(ELEMENT(self)->extra, i));
    Py_RETURN_NONE;
}

static Py_ssize_t element_len(PyObject *self) { return element_length(self); }

static int element_bool(PyObject *self)
{
    if (PyErr_WarnEx(PyExc_DeprecationWarning, "Testing an element's truth value will always return True in future versions.  "
                     "Use specific 'len(elem)' or 'elem is not None' test instead.", 1) < 0) return -1;
    return element_length(self) != 0;
}

static PyObject *element_item(PyObject *self, Py_ssize_t i)
{
    if (i >= 0 && i < element_length(self)) return Py_NewRef(ELEMENT(self)->extra->children[i]);
    PyErr_SetString(PyExc_IndexError, "child index out of range");
    return NULL;
}

static int element_set_item(PyObject *self, Py_ssize_t i, PyObject *value)
{
    TreeState *state = tree_state_of(Py_TYPE(self));
    if (!state) return -1;
    if (i < 0 || i >= element_length(self)) {
        PyErr_SetString(PyExc_IndexError, "child assignment index out of range");
        return -1;
    }
    Extra *x = ELEMENT(self)->extra;
    PyObject *old;
    if (value) {
        if (element_require(state, value) < 0) return -1;
        old = x->children[i];
        x->children[i] = Py_NewRef(value);
    }
    else old = child_take(x, i);
    Py_DECREF(old);
    return 0;
}

static int index_of(PyObject *self, PyObject *key, Py_ssize_t *i)
{
    *i = PyNumber_AsSsize_t(key, PyExc_IndexError);
    if (*i == -1 && PyErr_Occurred()) return -1;
    if (*i < 0) *i += element_length(self);
    return 0;
}

static PyObject *element_subscript(PyObject *self, PyObject *key)
{
    Py_ssize_t i, stop, step;
    if (PyIndex_Check(key)) return index_of(self, key, &i) < 0 ? NULL : element_item(self, i);
    if (!PySlice_Check(key)) {
        PyErr_SetString(PyExc_TypeError, "element indices must be integers");
        return NULL;
    }
    if (PySlice_Unpack(key, &i, &stop, &step) < 0) return NULL;
    Py_ssize_t n = PySlice_AdjustIndices(element_length(self), &i, &stop, step);
    PyObject *list = PyList_New(n);
    for (Py_ssize_t j = 0; list && j < n; j++, i += step) PyList_SET_ITEM(list, j, Py_NewRef(ELEMENT(self)->extra->children[i]));
    return list;
}

/* The children of a slice give way to the items of a list or tuple, or NULL. */
static int replace_slice(PyObject *self, Py_ssize_t start, Py_ssize_t step, Py_ssize_t n, PyObject *sequence)
{
    Py_ssize_t size = sequence ? PySequence_Fast_GET_SIZE(sequence) : 0, more = size > n ? size - n : 0;
    PyObject **gone = PyMem_Malloc((size_t)(n + 1) * sizeof *gone);
    if (!gone || ((size || n) && children_reserve(ELEMENT(self), more) < 0)) {
        PyMem_Free(gone);
        if (!PyErr_Occurred()) PyErr_NoMemory();
        return -1;
    }
    Extra *x = ELEMENT(self)->extra;
    if (size != n && step == 1) {
        for (Py_ssize_t i = 0; i < n; i++) gone[i] = x->children[start + i];
        memmove(x->children + start + size, x->children + start + n, (size_t)(x->length - start - n) * sizeof *x->children);
        for (Py_ssize_t i = 0; i < size; i++) x->children[start + i] = Py_NewRef(PySequence_Fast_GET_ITEM(sequence, i));
        x->length += size - n;
    }
    else if (sequence) {
        for (Py_ssize_t i = 0; i < n; i++) {
            PyObject **place = &x->children[start + i * step];
            gone[i] = *place;
            *place = Py_NewRef(PySequence_Fast_GET_ITEM(sequence, i));
        }
    }
    else {                                    /* what is taken out leaves holes, which are closed in one go */
        for (Py_ssize_t i = 0; i < n; i++) {
            gone[i] = x->children[start + i * step];
            x->children[start + i * step] = NULL;
        }
        Py_ssize_t to = 0;
        for (Py_ssize_t i = 0; n && i < x->length; i++)
            if (x->children[i]) x->children[to++] = x->children[i];
        if (n) x->length = to;
    }
    release_all(gone, n);
    return 0;
}

static int element_set_subscript(PyObject *self, PyObject *key, PyObject *value)
{
    Py_ssize_t start, stop, step;
    if (PyIndex_Check(key)) return index_of(self, key, &start) < 0 ? -1 : element_set_item(self, start, value);
    if (!PySlice_Check(key)) {
        PyErr_SetString(PyExc_TypeError, "element indices must be integers");
        return -1;
    }
    TreeState *state = tree_state_of(Py_TYPE(self));
    if (!state || PySlice_Unpack(key, &start, &stop, &step) < 0) return -1;
    /* Into a list of our own: nothing below may see it change. */
    PyObject *sequence = NULL;
    if (value) {
        PyObject *fast = PySequence_Fast(value, "assignment expects an iterable");
        if (!fast) return -1;
        sequence = PySequence_Tuple(fast);
        Py_DECREF(fast);
        if (!sequence) return -1;
    }
    Py_ssize_t n = PySlice_AdjustIndices(element_length(self), &start, &stop, step), size = sequence ? PyTuple_GET_SIZE(sequence) : 0;
    int status = 0;
    if (sequence && step != 1 && size != n) {
        PyErr_Format(PyExc_ValueError, "attempt to assign sequence of size %zd to extended slice of size %zd", size, n);
        status = -1;
    }
    for (Py_ssize_t i = 0; status == 0 && i < size; i++) status = element_require(state, PyTuple_GET_ITEM(sequence, i));
    if (status == 0) status = replace_slice(self, start, step, n, sequence);
    Py_XDECREF(sequence);
    return status;
}

BUILTIN_NOARGS(element, clear, "($self, /)", "Forget children, attributes and text.")
{
    Element *e = ELEMENT(self);
    Extra *extra = e->extra;
    e->extra = NULL;
    SET_FIELD(e->text, Py_NewRef(Py_None));
    SET_FIELD(e->tail, Py_NewRef(Py_None));
    extra_free(extra);
    Py_RETURN_NONE;
}

/* ---- attributes ---------------------------------------------------------------------------------------------------------------- */

static inline PyObject *attrib_of(PyObject *self) { return ELEMENT(self)->extra ? ELEMENT(self)->extra->attrib : NULL; }

BUILTIN(element, get, KEYWORDS, "($self, /, key, default=None)", "An attribute.")
{
    PyObject *attrib = attrib_of(self), *value = NULL;
    if (attrib) {
        Py_INCREF(attrib);                    /* comparing keys may replace it */
        value = Py_XNewRef(PyDict_GetItemWithError(attrib, arg[0]));
        Py_DECREF(attrib);
        if (!value && PyErr_Occurred()) return NULL;
    }
    else if (PyObject_Hash(arg[0]) == -1) {
        if (!PyErr_ExceptionMatches(PyExc_TypeError)) return NULL;
        PyErr_Clear();
    }
    return value ? value : Py_NewRef(arg[1] ? arg[1] : Py_None);
}

BUILTIN(element, set, POSITIONAL, "($self, key, value, /)", "Set an attribute.")
{
    PyObject *attrib = attrib_get(ELEMENT(self));
    if (!attrib) return NULL;
    Py_INCREF(attrib);
    int status = PyDict_SetItem(attrib, arg[0], arg[1]);
    Py_DECREF(attrib);
    if (status < 0) return NULL;
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(element, keys, "($self, /)", "The attributes' names, a list.") { return attrib_of(self) ? PyDict_Keys(attrib_of(self)) : PyList_New(0); }
BUILTIN_NOARGS(element, items, "($self, /)", "The attributes, a list of pairs.") { return attrib_of(self) ? PyDict_Items(attrib_of(self)) : PyList_New(0); }

BUILTIN(element, makeelement, KEYWORDS, "($self, tag, attrib, /)", "A new element.")
{
    TreeState *state = tree_state_of(Py_TYPE(self));
    if (!state) return NULL;
    if (!PyDict_Check(arg[1]))
        return PyErr_Format(PyExc_TypeError, "makeelement() argument 2 must be dict, not %.50s", arg[1] == Py_None ? "None" : Py_TYPE(arg[1])->tp_name);
    PyObject *attrib = PyDict_Copy(arg[1]), *o = attrib ? element_make(state, arg[0], attrib) : NULL;
    Py_XDECREF(attrib);
    return o;
}

/* The closure of a getset is the offset of its field. */
#define FIELD(self, closure) (*(PyObject **)((char *)(self) + (size_t)(closure)))

static PyObject *field_get(PyObject *self, void *closure) { return Py_NewRef(FIELD(self, closure)); }

static int cannot_delete(void)
{
    PyErr_SetString(PyExc_AttributeError, "can't delete element attribute");
    return -1;
}

static int field_set(PyObject *self, PyObject *value, void *closure)
{
    if (!value) return cannot_delete();
    SET_FIELD(FIELD(self, closure), Py_NewRef(value));
    return 0;
}

static PyObject *element_attrib(PyObject *self, void *Py_UNUSED(closure)) { return Py_XNewRef(attrib_get(ELEMENT(self))); }

static int element_set_attrib(PyObject *self, PyObject *value, void *Py_UNUSED(closure))
{
    if (!value) return cannot_delete();
    if (!PyDict_Check(value)) {
        PyErr_Format(PyExc_TypeError, "attrib must be dict, not %.200s", Py_TYPE(value)->tp_name);
        return -1;
    }
    if (extra_make(ELEMENT(self)) < 0) return -1;
    SET_FIELD(ELEMENT(self)->extra->attrib, Py_NewRef(value));
    return 0;
}

static PyObject *element_repr(PyObject *self)
{
    if (ELEMENT(self)->tag == Py_None) return PyUnicode_FromFormat("<Element None at %p>", self);
    int status = Py_ReprEnter(self);
    if (status == 0) {
        PyObject *tag = Py_NewRef(ELEMENT(self)->tag), *text = PyUnicode_FromFormat("<Element %R at %p>", tag, self);
        Py_DECREF(tag);
        Py_ReprLeave(self);
        return text;
    }
    if (status > 0) PyErr_Format(PyExc_RuntimeError, "reentrant call inside %s.__repr__", Py_TYPE(self)->tp_name);
    return NULL;
}

#define KEYWORD_ENTRY(name) { #name, (PyCFunction)(void (*)(void))element_##name, METH_FASTCALL | METH_KEYWORDS, element_##name##_text }
static const char element_find_text[] = "find($self, /, path, namespaces=None)\n--\n\nThe first element with that tag, or on that path.";
static const char element_findtext_text[] = "findtext($self, /, path, default=None, namespaces=None)\n--\n\nThe text of the first such element.";
static const char element_findall_text[] = "findall($self, /, path, namespaces=None)\n--\n\nAll such elements.";
static const char element_iterfind_text[] = "iterfind($self, /, path, namespaces=None)\n--\n\nAll such elements, one by one.";
static const char element_iter_text[] = "iter($self, /, tag=None)\n--\n\nAll elements of the tree, or those with that tag.";

static PyMethodDef element_methods[] = {
    METHOD(element, clear), METHOD(element, get), METHOD(element, set),
    KEYWORD_ENTRY(find), KEYWORD_ENTRY(findtext), KEYWORD_ENTRY(findall),
    METHOD(element, append), METHOD(element, extend), METHOD(element, insert), METHOD(element, remove),
    KEYWORD_ENTRY(iter), { "itertext", element_itertext, METH_NOARGS, "itertext($self, /)\n--\n\nAll text of the tree." }, KEYWORD_ENTRY(iterfind),
    METHOD(element, items), METHOD(element, keys), METHOD(element, makeelement), METHOD(element, __copy__), METHOD(element, __deepcopy__),
    METHOD(element, __sizeof__), METHOD(element, __getstate__), METHOD(element, __setstate__),
    { 0 }
};
static PyMemberDef element_members[] = { { "__weaklistoffset__", Py_T_PYSSIZET, offsetof(Element, weakrefs), Py_READONLY, NULL }, { 0 } };
static PyGetSetDef element_getset[] = {
    { "tag", field_get, field_set, "A string identifying what kind of data this element represents", (void *)offsetof(Element, tag) },
    { "text", field_get, field_set, "A string of text directly after the start tag, or None", (void *)offsetof(Element, text) },
    { "tail", field_get, field_set, "A string of text directly after the end tag, or None", (void *)offsetof(Element, tail) },
    { "attrib", element_attrib, element_set_attrib, "A dictionary containing the element's attributes", NULL },
    { 0 }
};
static PyType_Slot element_slots[] = {
    SLOT(tp_dealloc, element_dealloc), SLOT(tp_repr, element_repr), SLOT(tp_getattro, PyObject_GenericGetAttr), SLOT(tp_traverse, element_traverse),
    SLOT(tp_clear, element_gc_clear), SLOT(tp_methods, element_methods), SLOT(tp_members, element_members), SLOT(tp_getset, element_getset),
    SLOT(tp_init, element_init), SLOT(tp_new, element_new), SLOT(nb_bool, element_bool), SLOT(sq_length, element_len), SLOT(sq_item, element_item),
    SLOT(sq_ass_item, element_set_item), SLOT(mp_length, element_len), SLOT(mp_subscript, element_subscript),
    SLOT(mp_ass_subscript, element_set_subscript), { 0 }
};
PyType_Spec element_spec = {
    .name = "xml.etree.ElementTree.Element", .basicsize = sizeof(Element), .slots = element_slots,
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
};
