/* The Unpickler type and its memo proxy. */
#include "pickle_private.h"

/* ---- setting up ------------------------------------------------------------------------------------------------------ */

/* stack, memo; the other fields must be zero. */
int unpickler_setup(Unpickler *u, LoadStack *stack, PickleState *state)
{
    stack->data = stack->initial;
    stack->count = stack->fence = 0;
    stack->allocated = STACK_INITIAL;
    stack->mark_set = stack->custom_find_class = false;
    stack->sparse = NULL;
    stack->state = state;
    stack->plain_type = NULL;
    u->stack = stack;
    u->memo = PyMem_Calloc(MEMO_INITIAL, sizeof *u->memo);
    if (!u->memo) {
        PyErr_NoMemory();
        return -1;
    }
    u->memo_size = MEMO_INITIAL;
    return 0;
}

static void drop_memo(Unpickler *u, bool keep_array)
{
    PyObject **memo = u->memo, *sparse = u->stack ? u->stack->sparse : NULL;
    Py_ssize_t n = u->memo_size;
    PyObject **fresh = keep_array ? PyMem_Calloc(MEMO_INITIAL, sizeof *fresh) : NULL;
    u->memo = fresh;
    u->memo_size = fresh ? MEMO_INITIAL : 0;
    u->memo_count = 0;
    if (u->stack) u->stack->sparse = NULL;
    if (memo) for (Py_ssize_t i = 0; i < n; i++) Py_XDECREF(memo[i]);
    PyMem_Free(memo);
    Py_XDECREF(sparse);
}

static void drop_objects(Unpickler *u)
{
    if (u->stack) load_stack_clear(u->stack, 0);
    drop_memo(u, false);
    if (u->input || u->buffer.obj) {
        Py_buffer buffer = u->buffer;
        u->buffer = (Py_buffer){ 0 };
        u->input = NULL;
        u->length = u->next = u->prefetched = 0;
        PyBuffer_Release(&buffer);
    }
    Py_CLEAR(u->persistent_load);
    Py_CLEAR(u->persistent_load_attr);
    Py_CLEAR(u->read);
    Py_CLEAR(u->readinto);
    Py_CLEAR(u->readline);
    Py_CLEAR(u->peek);
    Py_CLEAR(u->buffers);
}

/* Everything but the LoadStack itself. */
void unpickler_fini(Unpickler *u)
{
    drop_objects(u);
    if (u->stack && u->stack->data != u->stack->initial) PyMem_Free(u->stack->data);
    PyMem_Free(u->marks);
    PyMem_Free(u->line);
    PyMem_Free(u->encoding);
    PyMem_Free(u->errors);
}

static int copy_text(char **place, const char *text)
{
    size_t n = strlen(text) + 1;
    char *copy = PyMem_Malloc(n);
    if (!copy) {
        PyErr_NoMemory();
        return -1;
    }
    memcpy(copy, text, n);
    PyMem_Free(*place);
    *place = copy;
    return 0;
}

static int unpickler_set_encoding(Unpickler *u, const char *encoding, const char *errors)
{
    return copy_text(&u->encoding, encoding) < 0 ? -1 : copy_text(&u->errors, errors);
}

int unpickler_set_buffers(Unpickler *u, PyObject *buffers)
{
    PyObject *it = NULL;
    if (buffers && buffers != Py_None && !(it = PyObject_GetIter(buffers))) return -1;
    SET_FIELD(u->buffers, it);
    return 0;
}

const char *unpickler_text_argument(PyObject *o, const char *function, const char *name, const char *otherwise)
{
    if (!o) return otherwise;
    if (!PyUnicode_Check(o)) {
        PyErr_Format(PyExc_TypeError, "%s() argument '%s' must be str, not %.50s", function, name, o == Py_None ? "None" : Py_TYPE(o)->tp_name);
        return NULL;
    }
    Py_ssize_t n;
    const char *text = PyUnicode_AsUTF8AndSize(o, &n);
    if (text && strlen(text) != (size_t)n) {
        PyErr_SetString(PyExc_ValueError, "embedded null character");
        return NULL;
    }
    return text;
}

/* ---- Unpickler --------------------------------------------------------------------------------------------------------- */

static PyObject *unpickler_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PickleState *state = pickle_state_of(type);
    Unpickler *u = UNPICKLER(type->tp_alloc(type, 0));
    if (!u) return NULL;
    LoadStack *stack = PyMem_Malloc(sizeof *stack);
    if (!stack) PyErr_NoMemory();
    if (!stack || unpickler_setup(u, stack, state) < 0) {
        Py_DECREF(u);
        return NULL;
    }
    return OBJECT(u);
}

SIGNATURE(unpickler_signature, "Unpickler", KEYWORDS, "(file, *, fix_imports=True, encoding='ASCII', errors='strict', buffers=())");

static int unpickler_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    Unpickler *u = UNPICKLER(self);
    PyObject *arg[5];
    if (args_bind_tuple(&unpickler_signature, args, kwargs, arg) < 0) return -1;
    int fix_imports = arg[1] ? PyObject_IsTrue(arg[1]) : 1;
    const char *encoding, *errors;
    if (fix_imports < 0 || !(encoding = unpickler_text_argument(arg[2], "Unpickler", "encoding", "ASCII")) ||
        !(errors = unpickler_text_argument(arg[3], "Unpickler", "errors", "strict"))) return -1;
    Py_CLEAR(u->read);
    if (input_set_stream(u, arg[0]) < 0 || unpickler_set_encoding(u, encoding, errors) < 0 || unpickler_set_buffers(u, arg[4]) < 0) {
        Py_CLEAR(u->read);
        return -1;
    }
    u->fix_imports = fix_imports;
    u->stack->custom_find_class = !Py_IS_TYPE(self, u->stack->state->unpickler_type);
    load_stack_clear(u->stack, 0);
    drop_memo(u, true);
    if (!u->memo) {
        PyErr_NoMemory();
        return -1;
    }
    u->proto = 0;
    return 0;
}

static PyObject *unpickler_persistent_load(PyObject *self, PyObject *arg)
{
    PyErr_SetString(UNPICKLER(self)->stack->state->unpickling_error,
                    "A load persistent id instruction was encountered, but no persistent_load function was specified.");
    return NULL;
}

BUILTIN_NOARGS(unpickler, load, "($self, /)",
               "Load a pickle.\n\nRead a pickled object representation from the open file object given in\n"
               "the constructor, and return the reconstituted object hierarchy specified therein.")
{
    Unpickler *u = UNPICKLER(self);
    if (!u->read) {
        PyErr_Format(u->stack->state->unpickling_error, "Unpickler.__init__() was not called by %s.__init__()", Py_TYPE(self)->tp_name);
        return NULL;
    }
    PyObject *method = PyObject_GetAttr(self, STR(persistent_load));
    if (!method) return NULL;
    if (PyCFunction_Check(method) && PyCFunction_GET_SELF(method) == self && PyCFunction_GET_FUNCTION(method) == unpickler_persistent_load)
        Py_CLEAR(method);
    SET_FIELD(u->persistent_load, method);
    PyObject *result = load_run(u);
    Py_CLEAR(u->persistent_load);
    return result;
}

BUILTIN(unpickler, find_class, POSITIONAL, "($self, module_name, global_name, /)",
        "Return an object from a specified module.\n\n"
        "If necessary, the module will be imported. Subclasses may override this method, for example to\n"
        "restrict what is unpickled.\n\n"
        "This method is called whenever a class or a function object is needed.\n"
        "Both arguments passed are str objects.")
{
    return load_find_class(UNPICKLER(self), arg[0], arg[1]);
}

BUILTIN_NOARGS(unpickler, __sizeof__, "($self, /)", "Returns size in memory, in bytes.")
{
    Unpickler *u = UNPICKLER(self);
    size_t size = (size_t)Py_TYPE(self)->tp_basicsize + (size_t)u->memo_size * sizeof *u->memo + (size_t)u->marks_allocated * sizeof *u->marks;
    if (u->line) size += strlen(u->line) + 1;
    if (u->encoding) size += strlen(u->encoding) + 1;
    if (u->errors) size += strlen(u->errors) + 1;
    return PyLong_FromSize_t(size);
}

static PyObject *unpickler_getattro(PyObject *self, PyObject *name)
{
    PyObject *set = UNPICKLER(self)->persistent_load_attr;
    if (set && PyUnicode_Check(name) && PyUnicode_EqualToUTF8(name, "persistent_load")) return Py_NewRef(set);
    return PyObject_GenericGetAttr(self, name);
}

static int unpickler_setattro(PyObject *self, PyObject *name, PyObject *value)
{
    if (!PyUnicode_Check(name) || !PyUnicode_EqualToUTF8(name, "persistent_load")) return PyObject_GenericSetAttr(self, name, value);
    SET_FIELD(UNPICKLER(self)->persistent_load_attr, Py_XNewRef(value));
    return 0;
}

static int unpickler_traverse(PyObject *self, visitproc visit, void *arg)
{
    Unpickler *u = UNPICKLER(self);
    VISIT_TYPE(self);
    Py_VISIT(u->persistent_load);
    Py_VISIT(u->persistent_load_attr);
    Py_VISIT(u->read);
    Py_VISIT(u->readinto);
    Py_VISIT(u->readline);
    Py_VISIT(u->peek);
    Py_VISIT(u->buffers);
    Py_VISIT(u->buffer.obj);
    for (Py_ssize_t i = 0; i < u->memo_size; i++) Py_VISIT(u->memo[i]);
    if (!u->stack) return 0;
    Py_VISIT(u->stack->sparse);
    for (Py_ssize_t i = 0; i < u->stack->count; i++) Py_VISIT(u->stack->data[i]);
    return 0;
}

static int unpickler_clear_gc(PyObject *self)
{
    drop_objects(UNPICKLER(self));
    return 0;
}

static void unpickler_dealloc(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    unpickler_fini(UNPICKLER(self));
    PyMem_Free(UNPICKLER(self)->stack);
    free_instance(self);
}

/* ---- memo ------------------------------------------------------------------------------------------------------------ */

/* {number: object} */
PyObject *unpickler_memo_as_dict(const Unpickler *u)
{
    PyObject *dict = u->stack->sparse ? PyDict_Copy(u->stack->sparse) : PyDict_New();
    for (Py_ssize_t i = 0; dict && i < u->memo_size; i++) {
        if (!u->memo[i]) continue;
        PyObject *key = PyLong_FromSsize_t(i);
        if (!key || PyDict_SetItem(dict, key, u->memo[i]) < 0) Py_CLEAR(dict);
        Py_XDECREF(key);
    }
    return dict;
}

static int set_sparse(PyObject **sparse, Py_ssize_t index, PyObject *value)
{
    if (!*sparse && !(*sparse = PyDict_New())) return -1;
    PyObject *key = PyLong_FromSsize_t(index);
    int status = key ? PyDict_SetItem(*sparse, key, value) : -1;
    Py_XDECREF(key);
    return status;
}

/* Takes the memo of a dict or of another unpickler. Nothing in here runs Python code, which could change the dict: the keys
 * may be of a class derived from int. */
static int replace_memo(Unpickler *u, PyObject *dict)
{
    PyObject *key, *value, **memo;
    Py_ssize_t position = 0, size = MEMO_INITIAL, count = 0, limit = PyDict_GET_SIZE(dict) * 8 + (1 << 16);
    PyObject *sparse = NULL;
    while (PyDict_Next(dict, &position, &key, &value)) {
        if (!PyLong_Check(key)) {
            PyErr_SetString(PyExc_TypeError, "memo key must be integers");
            return -1;
        }
        Py_ssize_t index = PyLong_AsSsize_t(key);
        if (index == -1 && PyErr_Occurred()) return -1;
        if (index < 0) {
            PyErr_SetString(PyExc_ValueError, "memo key must be positive integers.");
            return -1;
        }
        if (index < limit && index >= size) size = index * 2;
    }
    if (!(memo = PyMem_Calloc((size_t)size, sizeof *memo))) {
        PyErr_NoMemory();
        return -1;
    }
    position = 0;
    while (PyDict_Next(dict, &position, &key, &value)) {
        Py_ssize_t index = PyLong_AsSsize_t(key);
        count++;
        if (index < size) {
            if (memo[index]) count--;
            Py_XSETREF(memo[index], Py_NewRef(value));
        }
        else if (set_sparse(&sparse, index, value) < 0) {
            for (Py_ssize_t i = 0; i < size; i++) Py_XDECREF(memo[i]);
            PyMem_Free(memo);
            Py_XDECREF(sparse);
            return -1;
        }
    }
    drop_memo(u, false);
    u->memo = memo;
    u->memo_size = size;
    u->memo_count = count;
    u->stack->sparse = sparse;
    return 0;
}

static int unpickler_set_memo(PyObject *self, PyObject *value, void *Py_UNUSED(closure))
{
    Unpickler *u = UNPICKLER(self);
    if (!value) {
        PyErr_SetString(PyExc_TypeError, "attribute deletion is not supported");
        return -1;
    }
    if (Py_IS_TYPE(value, u->stack->state->unpickler_memo_type)) {
        PyObject *owner = MEMO_PROXY(value)->owner;
        if (!owner) {
            PyErr_SetString(PyExc_RuntimeError, "the memo proxy has no owner");
            return -1;
        }
        PyObject *copy = unpickler_memo_as_dict(UNPICKLER(owner));
        int status = copy ? replace_memo(u, copy) : -1;
        Py_XDECREF(copy);
        return status;
    }
    if (PyDict_Check(value)) return replace_memo(u, value);
    PyErr_Format(PyExc_TypeError, "'memo' attribute must be an UnpicklerMemoProxy object or dict, not %.200s", Py_TYPE(value)->tp_name);
    return -1;
}

static PyObject *unpickler_get_memo(PyObject *self, void *Py_UNUSED(closure))
{
    return memo_proxy_new(UNPICKLER(self)->stack->state->unpickler_memo_type, self);
}

int unpickler_clear_memo(Unpickler *u)
{
    drop_memo(u, true);
    if (u->memo) return 0;
    PyErr_NoMemory();
    return -1;
}

/* ---- the type -------------------------------------------------------------------------------------------------------- */

static PyMethodDef unpickler_methods[] = {
    { "persistent_load", unpickler_persistent_load, METH_O, "persistent_load($self, pid, /)\n--\n\n" },
    METHOD(unpickler, load), METHOD(unpickler, find_class), METHOD(unpickler, __sizeof__), { 0 },
};
static PyGetSetDef unpickler_getset[] = { { "memo", unpickler_get_memo, unpickler_set_memo, NULL, NULL }, { 0 } };

static const char unpickler_doc[] =
    "Unpickler(file, *, fix_imports=True, encoding='ASCII', errors='strict',\n          buffers=())\n--\n\n"
    "Reads pickles from a binary file.\n\n"
    "The protocol is found out from the pickle. Bytes past the pickled object are ignored.\n\n"
    "The *file* must have a read() method that takes a number of bytes and a readline() method without\n"
    "arguments; both return bytes.\n\n"
    "The other arguments serve pickles of Python 2 and out-of-band buffers: with *fix_imports* old names of\n"
    "modules are replaced, *encoding* and *errors* say how to decode its 8-bit strings ('bytes': not at all),\n"
    "and *buffers* iterates over what was left out of the pickle.";

static PyType_Slot unpickler_slots[] = {
    SLOT(tp_dealloc, unpickler_dealloc), SLOT(tp_getattro, unpickler_getattro), SLOT(tp_setattro, unpickler_setattro), SLOT(tp_methods, unpickler_methods),
    SLOT(tp_getset, unpickler_getset), SLOT(tp_init, unpickler_init), SLOT(tp_new, unpickler_new), SLOT(tp_alloc, PyType_GenericAlloc),
    SLOT(tp_free, PyObject_GC_Del), SLOT(tp_traverse, unpickler_traverse), SLOT(tp_clear, unpickler_clear_gc), SLOT(tp_doc, unpickler_doc), { 0, NULL },
};
PyType_Spec unpickler_spec = {
    "_pickle.Unpickler", sizeof(Unpickler), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE, unpickler_slots,
};

_Static_assert(sizeof(Pickler) == 152 && sizeof(Unpickler) == 272, "what object.__sizeof__ tells in CPython");
