/* The Pickler type and its memo proxy. */
#include "pickle_private.h"

/* ---- setting up ------------------------------------------------------------------------------------------------------ */

int pickler_set_protocol(Pickler *p, PyObject *protocol, int fix_imports)
{
    long number = PICKLE_DEFAULT;
    if (protocol && protocol != Py_None) {
        number = PyLong_AsLong(protocol);
        if (number < 0) {
            if (number == -1 && PyErr_Occurred()) return -1;
            number = PICKLE_HIGHEST;
        }
        else if (number > PICKLE_HIGHEST) {
            PyErr_Format(PyExc_ValueError, "pickle protocol must be <= %d", PICKLE_HIGHEST);
            return -1;
        }
    }
    p->proto = (int)number;
    p->bin = number > 0;
    p->fix_imports = fix_imports && number < 3;
    return 0;
}

int pickler_set_stream(Pickler *p, PyObject *file)
{
    PyObject *write;
    if (PyObject_GetOptionalAttr(file, STR(write), &write) < 0) return -1;
    if (!write) {
        PyErr_SetString(PyExc_TypeError, "file must have a 'write' attribute");
        return -1;
    }
    SET_FIELD(p->write, write);
    return 0;
}

int pickler_set_callback(Pickler *p, PyObject *callback)
{
    if (callback == Py_None) callback = NULL;
    if (callback && p->proto < 5) {
        PyErr_SetString(PyExc_ValueError, "buffer_callback needs protocol >= 5");
        return -1;
    }
    SET_FIELD(p->buffer_callback, Py_XNewRef(callback));
    return 0;
}

static PyObject *pickler_persistent_id(PyObject *self, PyObject *arg);

/* The methods that a subclass may bring. */
static int find_methods(Pickler *p)
{
    PyObject *self = OBJECT(p), *method = PyObject_GetAttr(self, STR(persistent_id));
    if (!method) return -1;
    if (PyCFunction_Check(method) && PyCFunction_GET_SELF(method) == self && PyCFunction_GET_FUNCTION(method) == pickler_persistent_id)
        Py_CLEAR(method);
    SET_FIELD(p->persistent_id, method);
    if (PyObject_GetOptionalAttr(self, STR(reducer_override), &method) < 0) return -1;
    SET_FIELD(p->reducer_override, method);
    return 0;
}

int pickler_run(Pickler *p, PyObject *o, bool methods)
{
    int status = -1;
    if (methods && find_methods(p) < 0) goto done;
    p->memo->plain_shape = NULL;
    if (p->proto >= 2) {
        char *at = output_reserve(p, 2);
        if (!at) goto done;
        at[0] = (char)OP_PROTO;
        at[1] = (char)p->proto;
        p->framing = p->proto >= 4;
    }
    if (save(p, o, false) == 0 && output_byte(p, OP_STOP) == 0) status = output_close_frame(p);
done:
    p->framing = 0;
    Py_CLEAR(p->persistent_id);
    Py_CLEAR(p->reducer_override);
    return status;
}

/* ---- Pickler --------------------------------------------------------------------------------------------------------- */

static PyObject *pickler_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    Pickler *p = PICKLER(type->tp_alloc(type, 0));
    if (!p) return NULL;
    p->state = pickle_state_of(type);
    p->memo = PyMem_Malloc(sizeof *p->memo);
    if (!p->memo || memo_init(p->memo) < 0) {
        PyMem_Free(p->memo);
        p->memo = NULL;
        Py_DECREF(p);
        return PyErr_NoMemory();
    }
    p->frame_start = -1;
    return OBJECT(p);
}

SIGNATURE(pickler_signature, "Pickler", KEYWORDS, "(file, protocol=None, fix_imports=True, buffer_callback=None)");

static int pickler_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    Pickler *p = PICKLER(self);
    PyObject *arg[4], *table;
    if (args_bind_tuple(&pickler_signature, args, kwargs, arg) < 0) return -1;
    int fix_imports = arg[2] ? PyObject_IsTrue(arg[2]) : 1;
    if (fix_imports < 0) return -1;
    if (p->write) Py_CLEAR(p->write);
    if (pickler_set_protocol(p, arg[1], fix_imports) < 0 || pickler_set_stream(p, arg[0]) < 0 ||
        pickler_set_callback(p, arg[3] ? arg[3] : Py_None) < 0) return -1;
    memo_clear(p->memo);
    if (output_start(p) < 0) return -1;
    p->fast = p->fast_nesting = 0;
    Py_CLEAR(p->fast_memo);
    if (PyObject_GetOptionalAttr(self, STR(dispatch_table), &table) < 0) return -1;
    SET_FIELD(p->dispatch_table, table);
    return 0;
}

BUILTIN_NOARGS(pickler, clear_memo, "($self, /)",
               "Clears the pickler's \"memo\".\n\n"
               "The memo remembers the objects that were pickled, so that they are pickled once. This is useful\n"
               "when a pickler is used again.")
{
    memo_clear(PICKLER(self)->memo);
    Py_RETURN_NONE;
}

BUILTIN_O(pickler, dump, "($self, obj, /)", "Write a pickled representation of the given object to the open file.")
{
    Pickler *p = PICKLER(self);
    if (!p->write) {
        PyErr_Format(p->state->pickling_error, "Pickler.__init__() was not called by %s.__init__()", Py_TYPE(self)->tp_name);
        return NULL;
    }
    if (p->reserved) {
        PyErr_SetString(PyExc_RuntimeError, "Pickler object is already in use");
        return NULL;
    }
    if (output_start(p) < 0) return NULL;
    p->reserved = 1;
    int status = pickler_run(p, arg, true);
    if (status == 0) status = p->output ? output_flush(p) : 0;
    p->reserved = 0;
    Py_CLEAR(p->output);
    p->frame_start = -1;
    if (status < 0) return NULL;
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(pickler, __sizeof__, "($self, /)", "Returns size in memory, in bytes.")
{
    Pickler *p = PICKLER(self);
    size_t size = (size_t)Py_TYPE(self)->tp_basicsize + 4 * sizeof(void *) + (size_t)p->memo->allocated * sizeof(MemoEntry);
    if (p->output) size += sizeof(PyBytesObject) - 7 + (size_t)PyBytes_GET_SIZE(p->output);
    return PyLong_FromSize_t(size);
}

static PyObject *pickler_persistent_id(PyObject *self, PyObject *arg) { Py_RETURN_NONE; }

/* persistent_id may be a method of a subclass, or set on the instance, which has no dict. */
static PyObject *pickler_getattro(PyObject *self, PyObject *name)
{
    PyObject *set = PICKLER(self)->persistent_id_attr;
    if (set && PyUnicode_Check(name) && PyUnicode_EqualToUTF8(name, "persistent_id")) return Py_NewRef(set);
    return PyObject_GenericGetAttr(self, name);
}

static int pickler_setattro(PyObject *self, PyObject *name, PyObject *value)
{
    if (!PyUnicode_Check(name) || !PyUnicode_EqualToUTF8(name, "persistent_id")) return PyObject_GenericSetAttr(self, name, value);
    SET_FIELD(PICKLER(self)->persistent_id_attr, Py_XNewRef(value));
    return 0;
}

static int pickler_traverse(PyObject *self, visitproc visit, void *arg)
{
    Pickler *p = PICKLER(self);
    VISIT_TYPE(self);
    Py_VISIT(p->write);
    Py_VISIT(p->persistent_id);
    Py_VISIT(p->persistent_id_attr);
    Py_VISIT(p->dispatch_table);
    Py_VISIT(p->reducer_override);
    Py_VISIT(p->fast_memo);
    Py_VISIT(p->buffer_callback);
    for (Py_ssize_t i = 0; p->memo && i < p->memo->allocated; i++) Py_VISIT(p->memo->table[i].key);
    return 0;
}

static int pickler_clear(PyObject *self)
{
    Pickler *p = PICKLER(self);
    Py_CLEAR(p->output);
    Py_CLEAR(p->write);
    Py_CLEAR(p->persistent_id);
    Py_CLEAR(p->persistent_id_attr);
    Py_CLEAR(p->dispatch_table);
    Py_CLEAR(p->reducer_override);
    Py_CLEAR(p->fast_memo);
    Py_CLEAR(p->buffer_callback);
    if (p->memo) memo_clear(p->memo);
    return 0;
}

static void pickler_dealloc(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    pickler_clear(self);
    if (PICKLER(self)->memo) {
        memo_fini(PICKLER(self)->memo);
        PyMem_Free(PICKLER(self)->memo);
    }
    free_instance(self);
}

/* ---- memo ------------------------------------------------------------------------------------------------------------ */

/* {id: (number, object)} */
PyObject *pickler_memo_as_dict(const Pickler *p)
{
    const Memo *m = p->memo;
    PyObject *dict = PyDict_New();
    for (Py_ssize_t i = 0; dict && i < m->allocated; i++) {
        PyObject *o = m->table[i].key;
        if (!o) continue;
        PyObject *key = PyLong_FromVoidPtr(o), *value = Py_BuildValue("(nO)", m->table[i].index, o);
        if (!key || !value || PyDict_SetItem(dict, key, value) < 0) Py_CLEAR(dict);
        Py_XDECREF(key);
        Py_XDECREF(value);
    }
    return dict;
}

static int memo_add(Memo *m, PyObject *o, Py_ssize_t index)
{
    MemoEntry *e = memo_find(m, o);
    if (e->key) {
        e->index = index;
        return 0;
    }
    Py_ssize_t next = m->next + 1;
    if (memo_fill(m, e, o) < 0) return -1;
    e = memo_find(m, o);
    e->index = index;
    m->next = next;
    return 0;
}

static void memo_swap(Memo *m, Memo *fresh)
{
    Memo old = *m;
    *m = *fresh;
    memo_fini(&old);
}

static int pickler_set_memo(PyObject *self, PyObject *value, void *Py_UNUSED(closure))
{
    Pickler *p = PICKLER(self);
    Memo fresh;
    if (!value) {
        PyErr_SetString(PyExc_TypeError, "attribute deletion is not supported");
        return -1;
    }
    if (Py_IS_TYPE(value, p->state->pickler_memo_type)) {
        PyObject *owner = MEMO_PROXY(value)->owner;
        if (!owner) {
            PyErr_SetString(PyExc_RuntimeError, "the memo proxy has no owner");
            return -1;
        }
        const Memo *from = PICKLER(owner)->memo;
        if (memo_init(&fresh) < 0) return -1;
        for (Py_ssize_t i = 0; i < from->allocated; i++)
            if (from->table[i].key && memo_add(&fresh, from->table[i].key, from->table[i].index) < 0) goto error;
        fresh.next = from->next;
    }
    else if (PyDict_Check(value)) {
        PyObject *key, *item;
        Py_ssize_t position = 0;
        if (memo_init(&fresh) < 0) return -1;
        while (PyDict_Next(value, &position, &key, &item)) {
            if (!PyTuple_Check(item) || PyTuple_GET_SIZE(item) != 2) {
                PyErr_SetString(PyExc_TypeError, "'memo' values must be 2-item tuples");
                goto error;
            }
            if (!PyLong_Check(PyTuple_GET_ITEM(item, 0))) {
                PyErr_SetString(PyExc_TypeError, "an integer is required");
                goto error;
            }
            Py_ssize_t index = PyLong_AsSsize_t(PyTuple_GET_ITEM(item, 0));
            if ((index == -1 && PyErr_Occurred()) || memo_add(&fresh, PyTuple_GET_ITEM(item, 1), index) < 0) goto error;
        }
    }
    else {
        PyErr_Format(PyExc_TypeError, "'memo' attribute must be a PicklerMemoProxy object or dict, not %.200s", Py_TYPE(value)->tp_name);
        return -1;
    }
    memo_swap(p->memo, &fresh);
    return 0;
error:
    memo_fini(&fresh);
    return -1;
}

static PyObject *pickler_get_memo(PyObject *self, void *Py_UNUSED(closure))
{
    return memo_proxy_new(PICKLER(self)->state->pickler_memo_type, self);
}

/* ---- the type -------------------------------------------------------------------------------------------------------- */

static PyMethodDef pickler_methods[] = {
    { "persistent_id", pickler_persistent_id, METH_O, "persistent_id($self, obj, /)\n--\n\n" },
    METHOD(pickler, dump), METHOD(pickler, clear_memo), METHOD(pickler, __sizeof__), { 0 },
};
static PyMemberDef pickler_members[] = {
    { "bin", Py_T_INT, offsetof(Pickler, bin), 0, NULL },
    { "fast", Py_T_INT, offsetof(Pickler, fast), 0, NULL },
    { "dispatch_table", Py_T_OBJECT_EX, offsetof(Pickler, dispatch_table), 0, NULL },
    { 0 },
};
static PyGetSetDef pickler_getset[] = { { "memo", pickler_get_memo, pickler_set_memo, NULL, NULL }, { 0 } };

static const char pickler_doc[] =
    "Pickler(file, protocol=None, fix_imports=True, buffer_callback=None)\n--\n\n"
    "Writes pickles to a binary file.\n\n"
    "The optional *protocol* says which of the protocols 0 to 5 to use; a negative number stands for the\n"
    "highest. The default is 4. The higher the protocol, the more recent the Python that can read it.\n\n"
    "The *file* must have a write() method that takes one bytes argument.\n\n"
    "With *fix_imports* and a protocol below 3, names of modules are written as Python 2 has them.\n\n"
    "With *buffer_callback*, which needs protocol 5, buffers are given to that function and left out of the\n"
    "pickle when it returns a false value.";

static PyType_Slot pickler_slots[] = {
    SLOT(tp_dealloc, pickler_dealloc), SLOT(tp_getattro, pickler_getattro), SLOT(tp_setattro, pickler_setattro), SLOT(tp_methods, pickler_methods),
    SLOT(tp_members, pickler_members), SLOT(tp_getset, pickler_getset), SLOT(tp_init, pickler_init), SLOT(tp_new, pickler_new),
    SLOT(tp_alloc, PyType_GenericAlloc), SLOT(tp_free, PyObject_GC_Del), SLOT(tp_traverse, pickler_traverse), SLOT(tp_clear, pickler_clear),
    SLOT(tp_doc, pickler_doc), { 0, NULL },
};
PyType_Spec pickler_spec = {
    "_pickle.Pickler", sizeof(Pickler), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE, pickler_slots,
};
