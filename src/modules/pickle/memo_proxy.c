/* What Pickler.memo and Unpickler.memo are: proxies whose methods reach into the owner's memo. One made by calling its type
 * has no owner. */
#include "pickle_private.h"

/* The copy of the memo in a dict: NEW. */
static PyObject *as_dict(PyObject *self)
{
    PyObject *owner = MEMO_PROXY(self)->owner;
    if (!owner) return PyErr_Format(PyExc_RuntimeError, "the memo proxy has no owner");
    return PyObject_TypeCheck(owner, pickle_state_of(Py_TYPE(self))->pickler_type) ? pickler_memo_as_dict(PICKLER(owner))
                                                                                   : unpickler_memo_as_dict(UNPICKLER(owner));
}

PyObject *memo_proxy_new(PyTypeObject *type, PyObject *owner)
{
    MemoProxy *proxy = PyObject_GC_New(MemoProxy, type);
    if (!proxy) return NULL;
    proxy->owner = Py_NewRef(owner);
    PyObject_GC_Track(proxy);
    return OBJECT(proxy);
}

BUILTIN_NOARGS(proxy, clear, "($self, /)", "Remove all items from memo.")
{
    PyObject *owner = MEMO_PROXY(self)->owner;
    if (!owner) return PyErr_Format(PyExc_RuntimeError, "the memo proxy has no owner");
    if (PyObject_TypeCheck(owner, pickle_state_of(Py_TYPE(self))->pickler_type)) memo_clear(PICKLER(owner)->memo);
    else if (unpickler_clear_memo(UNPICKLER(owner)) < 0) return NULL;
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(proxy, copy, "($self, /)", "Copy the memo to a new object.") { return as_dict(self); }

BUILTIN_NOARGS(proxy, __reduce__, "($self, /)", "Implement pickle support.")
{
    PyObject *copy = as_dict(self);
    return copy ? Py_BuildValue("(O(N))", &PyDict_Type, copy) : NULL;
}

static int proxy_traverse(PyObject *self, visitproc visit, void *arg)
{
    VISIT_TYPE(self);
    Py_VISIT(MEMO_PROXY(self)->owner);
    return 0;
}

static int proxy_clear_gc(PyObject *self)
{
    Py_CLEAR(MEMO_PROXY(self)->owner);
    return 0;
}

static void proxy_dealloc(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    proxy_clear_gc(self);
    free_instance(self);
}

static PyMethodDef proxy_methods[] = { METHOD(proxy, clear), METHOD(proxy, copy), METHOD(proxy, __reduce__), { 0 } };
static PyType_Slot proxy_slots[] = {
    SLOT(tp_dealloc, proxy_dealloc), SLOT(tp_traverse, proxy_traverse), SLOT(tp_clear, proxy_clear_gc), SLOT(tp_methods, proxy_methods),
    SLOT(tp_hash, PyObject_HashNotImplemented), { 0, NULL },
};
enum { PROXY_FLAGS = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE };
PyType_Spec pickler_memo_spec = { "_pickle.PicklerMemoProxy", sizeof(MemoProxy), 0, PROXY_FLAGS, proxy_slots };
PyType_Spec unpickler_memo_spec = { "_pickle.UnpicklerMemoProxy", sizeof(MemoProxy), 0, PROXY_FLAGS, proxy_slots };
