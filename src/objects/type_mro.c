/* Method resolution order (C3, mro() overrides), best base and metaclass of a new class.
 *
 * C3 merges the orders of the bases and the list of bases itself: the next class is the first head that is in no tail. */
#include "objects/type.h"

/* ---- subtype --------------------------------------------------------------------------------------------------- */

int PyType_IsSubtype(PyTypeObject *a, PyTypeObject *b)
{
    PyObject *mro = a->tp_mro;
    if (LIKELY(mro != NULL)) {
        PyObject **items = ((PyTupleObject *)mro)->ob_item;
        for (Py_ssize_t i = 0, n = PyTuple_GET_SIZE(mro); i < n; i++)
            if (items[i] == OBJECT(b)) return 1;
        return 0;
    }
    do {                                                    /* not ready yet */
        if (a == b) return 1;
        a = a->tp_base;
    } while (a);
    return b == &PyBaseObject_Type;
}

/* ---- C3 -------------------------------------------------------------------------------------------------------- */

static bool tail_contains(PyObject *tuple, Py_ssize_t from, PyObject *o)
{
    for (Py_ssize_t j = from + 1; j < PyTuple_GET_SIZE(tuple); j++)
        if (PyTuple_GET_ITEM(tuple, j) == o) return true;
    return false;
}

static PyObject *class_name(PyObject *cls)
{
    PyObject *name;
    if (PyObject_GetOptionalAttr(cls, STR(__name__), &name) < 0) return NULL;
    return name ? name : PyObject_Repr(cls);
}

COLD NOINLINE static int check_duplicates(PyObject *bases)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(bases); i++) {
        PyObject *o = PyTuple_GET_ITEM(bases, i);
        if (!tail_contains(bases, i, o)) continue;
        PyObject *name = class_name(o);
        if (!name) return -1;
        if (PyUnicode_Check(name)) PyErr_Format(PyExc_TypeError, "duplicate base class %U", name);
        else PyErr_SetString(PyExc_TypeError, "duplicate base class");
        Py_DECREF(name);
        return -1;
    }
    return 0;
}

/* Names the bases that are left, each once. */
COLD NOINLINE static void set_mro_error(PyObject **lists, Py_ssize_t count, const Py_ssize_t *at)
{
    PyObject *set = PyDict_New(), *text = NULL, *key, *value;
    if (!set) return;
    for (Py_ssize_t i = 0; i < count; i++) {
        if (at[i] < PyTuple_GET_SIZE(lists[i]) && PyDict_SetItem(set, PyTuple_GET_ITEM(lists[i], at[i]), Py_None) < 0) goto done;
    }
    Py_ssize_t pos = 0;
    text = PyUnicode_FromString("Cannot create a consistent method resolution order (MRO) for bases");
    for (bool first = true; text && PyDict_Next(set, &pos, &key, &value); first = false) {
        PyObject *name = class_name(key);
        if (!name) goto done;
        PyObject *longer = PyUnicode_FromFormat("%U%s %S", text, first ? "" : ",", name);
        Py_DECREF(name);
        Py_SETREF(text, longer);
    }
    if (text) PyErr_SetObject(PyExc_TypeError, text);
done:
    Py_XDECREF(text);
    Py_DECREF(set);
}

static int c3_merge(PyObject *result, PyObject **lists, Py_ssize_t count, Py_ssize_t *at)
{
    for (;;) {
        Py_ssize_t empty = 0, i;
        for (i = 0; i < count; i++) {
            if (at[i] >= PyTuple_GET_SIZE(lists[i])) {
                empty++;
                continue;
            }
            PyObject *candidate = PyTuple_GET_ITEM(lists[i], at[i]);
            Py_ssize_t j = 0;
            while (j < count && !tail_contains(lists[j], at[j], candidate)) j++;
            if (j < count) continue;
            if (PyList_Append(result, candidate) < 0) return -1;
            for (j = 0; j < count; j++)
                if (at[j] < PyTuple_GET_SIZE(lists[j]) && PyTuple_GET_ITEM(lists[j], at[j]) == candidate) at[j]++;
            break;
        }
        if (i < count) continue;
        if (empty == count) return 0;
        set_mro_error(lists, count, at);
        return -1;
    }
}

static PyObject *single_base_mro(PyTypeObject *type, PyTypeObject *base)
{
    Py_ssize_t n = PyTuple_GET_SIZE(base->tp_mro);
    PyObject *result = PyTuple_New(n + 1);
    if (!result) return NULL;
    PyTuple_SET_ITEM(result, 0, Py_NewRef(type));
    for (Py_ssize_t i = 0; i < n; i++) PyTuple_SET_ITEM(result, i + 1, Py_NewRef(PyTuple_GET_ITEM(base->tp_mro, i)));
    return result;
}

static PyObject *mro_c3(PyTypeObject *type)
{
    PyObject *bases = type->tp_bases;
    Py_ssize_t n = PyTuple_GET_SIZE(bases);
    for (Py_ssize_t i = 0; i < n; i++) {
        PyTypeObject *base = (PyTypeObject *)PyTuple_GET_ITEM(bases, i);
        if (!base->tp_mro) {
            PyErr_Format(PyExc_TypeError, "Cannot extend an incomplete type '%.100s'", base->tp_name);
            return NULL;
        }
    }
    if (n == 0) return PyTuple_Pack(1, type);
    if (n == 1) return single_base_mro(type, (PyTypeObject *)PyTuple_GET_ITEM(bases, 0));
    if (check_duplicates(bases) < 0) return NULL;
    PyObject *result = NULL, *list = PyList_New(1);
    PyObject **lists = PyMem_New(PyObject *, n + 1);
    Py_ssize_t *at = PyMem_Calloc((size_t)n + 1, sizeof *at);
    if (!list || !lists || !at) {
        PyErr_NoMemory();
        goto done;
    }
    PyList_SET_ITEM(list, 0, Py_NewRef(type));
    for (Py_ssize_t i = 0; i < n; i++) lists[i] = Py_NewRef(((PyTypeObject *)PyTuple_GET_ITEM(bases, i))->tp_mro);
    lists[n] = Py_NewRef(bases);                           /* held: what tells of an error asks metaclasses, which may replace them */
    if (c3_merge(list, lists, n + 1, at) == 0) result = PyList_AsTuple(list);
    for (Py_ssize_t i = 0; i <= n; i++) Py_DECREF(lists[i]);
done:
    PyMem_Free(at);
    PyMem_Free(lists);
    Py_XDECREF(list);
    return result;
}

static int mro_check(PyTypeObject *type, PyObject *mro)
{
    PyTypeObject *solid = type_solid_base(type);
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(mro); i++) {
        PyObject *o = PyTuple_GET_ITEM(mro, i);
        if (!PyType_Check(o)) {
            PyErr_Format(PyExc_TypeError, "mro() returned a non-class ('%.500s')", Py_TYPE(o)->tp_name);
            return -1;
        }
        if (!PyType_IsSubtype(solid, type_solid_base((PyTypeObject *)o))) {
            PyErr_Format(PyExc_TypeError, "mro() returned base with unsuitable layout ('%.500s')", ((PyTypeObject *)o)->tp_name);
            return -1;
        }
    }
    return 0;
}

/* NEW tuple; what type(type).mro says. */
static PyObject *mro_invoke(PyTypeObject *type)
{
    bool custom = !Py_IS_TYPE(type, &PyType_Type);
    PyObject *found = custom ? type_lookup(Py_TYPE(type), STR(mro)) : NULL;
    if (!found || found == type_lookup(&PyType_Type, STR(mro))) return mro_c3(type);
    PyObject *result = type_call_special(STR(mro), (PyObject *[]){OBJECT(type)}, 1);
    if (!result) return NULL;
    Py_SETREF(result, PySequence_Tuple(result));
    if (!result) return NULL;
    if (PyTuple_GET_SIZE(result) == 0) {
        Py_DECREF(result);
        PyErr_Format(PyExc_TypeError, "type MRO must not be empty");
        return NULL;
    }
    if (mro_check(type, result) < 0) Py_CLEAR(result);
    return result;
}

PyObject *type_mro_plain(PyTypeObject *type)              /* type.mro() */
{
    PyObject *tuple = mro_c3(type);
    if (!tuple) return NULL;
    Py_SETREF(tuple, PySequence_List(tuple));
    return tuple;
}

/* Stores the MRO of type. With old_mro, the replaced one is handed over (NEW). Returns 1; 0 when a reentrant call replaced it
 * meanwhile, so that ours is stale; -1. */
int type_mro_compute(PyTypeObject *type, PyObject **old_mro)
{
    PyObject *old = Py_XNewRef(type->tp_mro);              /* keeps its address from being used again */
    PyObject *mro = mro_invoke(type);
    bool reentered = type->tp_mro != old;
    Py_XDECREF(old);
    if (!mro) return -1;
    if (reentered) {
        Py_DECREF(mro);
        return 0;
    }
    old = type->tp_mro;
    type->tp_mro = mro;
    type_mro_modified(type, mro);
    type_mro_modified(type, type->tp_bases);
    if (!(type->tp_flags & _Py_TPFLAGS_STATIC_BUILTIN)) PyType_Modified(type);
    if (old_mro) *old_mro = old;
    else Py_XDECREF(old);
    return 1;
}

/* ---- bases ----------------------------------------------------------------------------------------------------- */

static bool adds_layout(PyTypeObject *type, PyTypeObject *base)
{
    return type->tp_basicsize != base->tp_basicsize || type->tp_itemsize != base->tp_itemsize;
}

PyTypeObject *type_solid_base(PyTypeObject *type)
{
    PyTypeObject *base = type->tp_base ? type_solid_base(type->tp_base) : &PyBaseObject_Type;
    return adds_layout(type, base) ? type : base;
}

PyTypeObject *type_best_base(PyObject *bases)
{
    PyTypeObject *best = NULL, *winner = NULL;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(bases); i++) {
        PyObject *o = PyTuple_GET_ITEM(bases, i);
        if (!PyType_Check(o)) {
            PyErr_SetString(PyExc_TypeError, "bases must be types");
            return NULL;
        }
        PyTypeObject *base = (PyTypeObject *)o;
        if (!type_is_ready(base) && PyType_Ready(base) < 0) return NULL;
        if (!(base->tp_flags & Py_TPFLAGS_BASETYPE)) {
            PyErr_Format(PyExc_TypeError, "type '%.100s' is not an acceptable base type", base->tp_name);
            return NULL;
        }
        PyTypeObject *candidate = type_solid_base(base);
        if (!winner || PyType_IsSubtype(candidate, winner)) {
            if (winner == candidate) continue;
            winner = candidate;
            best = base;
        }
        else if (!PyType_IsSubtype(winner, candidate)) {
            PyErr_SetString(PyExc_TypeError, "multiple bases have instance lay-out conflict");
            return NULL;
        }
    }
    assert(best);
    return best;
}

PyTypeObject *type_calculate_metaclass(PyTypeObject *metatype, PyObject *bases)
{
    PyTypeObject *winner = metatype;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(bases); i++) {
        PyTypeObject *type = Py_TYPE(PyTuple_GET_ITEM(bases, i));
        if (PyType_IsSubtype(winner, type)) continue;
        if (PyType_IsSubtype(type, winner)) {
            winner = type;
            continue;
        }
        PyErr_SetString(PyExc_TypeError,
                        "metaclass conflict: the metaclass of a derived class must be a (non-strict) subclass of the metaclasses "
                        "of all its bases");
        return NULL;
    }
    return winner;
}
