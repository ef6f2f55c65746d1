/* Making a class: type(name, bases, namespace), what the class statement ends in.
 *
 * Layout of instances: those of the best base, then one pointer a slot. __dict__ and __weakref__ take no field: the first is
 * the hidden word in front of the object (instance.h), the second lives in memory/'s table; the offsets that Python code sees
 * are CPython's. */
#include "objects/type.h"

#include "objects/instance.h"
#include "objects/unicode.h"

typedef struct NewClass {
    PyTypeObject *metatype, *base;
    PyObject *args, *kwds;
    PyObject *name, *bases, *given_dict;     /* borrowed from args, but bases (owned) */
    PyObject *dict;                          /* owned: the copy that becomes tp_dict */
    PyObject *slots;                         /* owned: sorted tuple of mangled names, or NULL */
    bool may_add_dict, may_add_weak, add_dict, add_weak;
} NewClass;

/* ---- __slots__ ----------------------------------------------------------------------------------------------------- */

static int take_special_slot(bool may, bool *add, const char *name)
{
    if (!may || *add) {
        PyErr_Format(PyExc_TypeError, "%s slot disallowed: we already got one", name);
        return -1;
    }
    *add = true;
    return 0;
}

static int check_slot_name(NewClass *c, PyObject *name)
{
    if (!PyUnicode_Check(name)) {
        PyErr_Format(PyExc_TypeError, "__slots__ items must be strings, not '%.200s'", Py_TYPE(name)->tp_name);
        return -1;
    }
    if (!PyUnicode_IsIdentifier(name)) {
        PyErr_SetString(PyExc_TypeError, "__slots__ must be identifiers");
        return -1;
    }
    if (str_equal(name, STR(__dict__))) return take_special_slot(c->may_add_dict, &c->add_dict, "__dict__");
    if (str_equal(name, STR(__weakref__))) return take_special_slot(c->may_add_weak, &c->add_weak, "__weakref__");
    return 0;
}

/* _Class__name for a private name. */
PyObject *type_mangle(PyObject *class_name, PyObject *name);
PyObject *type_mangle(PyObject *class_name, PyObject *name)
{
    Py_ssize_t n = PyUnicode_GET_LENGTH(name), skip = 0, m = PyUnicode_GET_LENGTH(class_name);
    if (n < 2 || PyUnicode_READ_CHAR(name, 0) != '_' || PyUnicode_READ_CHAR(name, 1) != '_') return Py_NewRef(name);
    if (PyUnicode_READ_CHAR(name, n - 1) == '_' && PyUnicode_READ_CHAR(name, n - 2) == '_') return Py_NewRef(name);
    if (PyUnicode_FindChar(name, '.', 0, n, 1) >= 0) return Py_NewRef(name);
    while (skip < m && PyUnicode_READ_CHAR(class_name, skip) == '_') skip++;
    if (skip == m) return Py_NewRef(name);                  /* a class named only with underscores */
    PyObject *stripped = PyUnicode_Substring(class_name, skip, m);
    if (!stripped) return NULL;
    PyObject *result = PyUnicode_FromFormat("_%U%U", stripped, name);
    Py_DECREF(stripped);
    return result;
}

/* The tuple of member names: mangled, sorted, without __dict__ and __weakref__. */
static PyObject *slot_members(NewClass *c, PyObject *slots)
{
    PyObject *list = PyList_New(0), *result = NULL;
    if (!list) return NULL;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(slots); i++) {
        PyObject *slot = PyTuple_GET_ITEM(slots, i);
        if ((c->add_dict && str_equal(slot, STR(__dict__))) || (c->add_weak && str_equal(slot, STR(__weakref__)))) continue;
        PyObject *name = type_mangle(c->name, slot);
        if (!name) goto done;
        PyUnicode_InternInPlace(&name);
        int there = PyList_Append(list, name);
        if (there == 0) there = PyDict_Contains(c->dict, name);
        /* these are in the namespace only until the class is made */
        if (there > 0 && (str_equal(name, STR(__qualname__)) || str_equal(name, STR(__classcell__)) ||
                          str_equal(name, STR(__classdictcell__))))
            there = 0;
        if (there > 0) {
            PyErr_Format(PyExc_ValueError, "%R in __slots__ conflicts with class variable", name);
            there = -1;
        }
        Py_DECREF(name);
        if (there < 0) goto done;
    }
    if (PyList_Sort(list) == 0) result = PyList_AsTuple(list);
done:
    Py_DECREF(list);
    return result;
}

/* A second base may bring __dict__ or __weakref__. */
static void look_at_other_bases(NewClass *c)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(c->bases); i++) {
        PyTypeObject *base = (PyTypeObject *)PyTuple_GET_ITEM(c->bases, i);
        if (base == c->base) continue;
        if (c->may_add_dict && base->tp_dictoffset != 0) c->add_dict = true;
        if (c->may_add_weak && base->tp_weaklistoffset != 0) c->add_weak = true;
    }
}

static int new_slots(NewClass *c)
{
    PyObject *given, *tuple;
    c->may_add_dict = c->base->tp_dictoffset == 0;
    c->may_add_weak = c->base->tp_weaklistoffset == 0 && c->base->tp_itemsize == 0;
    int found = PyDict_GetItemRef(c->dict, STR(__slots__), &given);
    if (found < 0) return -1;
    if (!found) {
        c->add_dict = c->may_add_dict;
        c->add_weak = c->may_add_weak;
        return 0;
    }
    tuple = PyUnicode_Check(given) ? PyTuple_Pack(1, given) : PySequence_Tuple(given);
    Py_DECREF(given);
    if (!tuple) return -1;
    if (PyTuple_GET_SIZE(tuple) > 0 && c->base->tp_itemsize != 0) {
        PyErr_Format(PyExc_TypeError, "nonempty __slots__ not supported for subtype of '%s'", c->base->tp_name);
        goto error;
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(tuple); i++)
        if (check_slot_name(c, PyTuple_GET_ITEM(tuple, i)) < 0) goto error;
    if (!(c->slots = slot_members(c, tuple))) goto error;
    look_at_other_bases(c);
    Py_DECREF(tuple);
    return 0;
error:
    Py_DECREF(tuple);
    return -1;
}

static int add_slot_members(NewClass *c, PyHeapTypeObject *heap)
{
    PyTypeObject *type = &heap->ht_type;
    PyMemberDef *member = PyObject_GetItemData(OBJECT(type));
    Py_ssize_t offset = c->base->tp_basicsize;
    type->tp_members = member;
    for (Py_ssize_t i = 0; c->slots && i < PyTuple_GET_SIZE(c->slots); i++, member++) {
        member->name = PyUnicode_AsUTF8(PyTuple_GET_ITEM(c->slots, i));
        if (!member->name) return -1;
        member->type = Py_T_OBJECT_EX;
        member->offset = offset;
        offset += (Py_ssize_t)sizeof(PyObject *);
    }
    type->tp_basicsize = offset;
    type->tp_itemsize = c->base->tp_itemsize;
    if (c->add_dict) {
        type->tp_flags |= Py_TPFLAGS_MANAGED_DICT;
        type->tp_dictoffset = -1;
    }
    if (c->add_weak) {
        type->tp_flags |= Py_TPFLAGS_MANAGED_WEAKREF;
        type->tp_weaklistoffset = -32;
    }
    if (c->add_dict && c->add_weak) type->tp_getset = subtype_getset_dict_weak;
    else if (c->add_dict) type->tp_getset = subtype_getset_dict;
    else if (c->add_weak) type->tp_getset = subtype_getset_weak;
    return 0;
}

/* ---- the namespace --------------------------------------------------------------------------------------------------- */

static int set_module(NewClass *c)
{
    int there = PyDict_Contains(c->dict, STR(__module__));
    if (there) return there < 0 ? -1 : 0;
    PyObject *globals = PyEval_GetGlobals(), *module;
    if (!globals) return 0;
    int found = PyDict_GetItemRef(globals, STR(__name__), &module);
    if (found <= 0) return found;
    int status = PyDict_SetItem(c->dict, STR(__module__), module);
    Py_DECREF(module);
    return status;
}

static int set_qualname(NewClass *c, PyHeapTypeObject *heap)
{
    PyObject *qualname;
    int found = PyDict_GetItemRef(c->dict, STR(__qualname__), &qualname);
    if (found < 0) return -1;
    if (!found) qualname = Py_NewRef(c->name);
    else if (!PyUnicode_Check(qualname)) {
        PyErr_Format(PyExc_TypeError, "type __qualname__ must be a str, not %s", Py_TYPE(qualname)->tp_name);
        Py_DECREF(qualname);
        return -1;
    }
    heap->ht_qualname = qualname;
    return found ? PyDict_DelItem(c->dict, STR(__qualname__)) : 0;
}

static int set_doc(NewClass *c, PyTypeObject *type)
{
    PyObject *doc = PyDict_GetItemWithError(c->dict, STR(__doc__));
    if (!doc) return PyErr_Occurred() ? -1 : 0;
    if (!PyUnicode_Check(doc)) return 0;
    Py_ssize_t n;
    const char *text = PyUnicode_AsUTF8AndSize(doc, &n);
    if (!text) return -1;
    char *copy = PyMem_Malloc((size_t)n + 1);
    if (!copy) {
        PyErr_NoMemory();
        return -1;
    }
    memcpy(copy, text, (size_t)n + 1);
    type->tp_doc = copy;
    return 0;
}

/* A plain function under this name becomes a static or class method. */
static int wrap_function(PyObject *dict, PyObject *name, PyObject *(*wrap)(PyObject *))
{
    PyObject *function = PyDict_GetItemWithError(dict, name);
    if (!function) return PyErr_Occurred() ? -1 : 0;
    if (!PyFunction_Check(function)) return 0;
    PyObject *wrapped = wrap(function);
    if (!wrapped) return -1;
    int status = PyDict_SetItem(dict, name, wrapped);
    Py_DECREF(wrapped);
    return status;
}

/* The compiler leaves the cells of `__class__` and of the namespace here. */
static int fill_cell(PyObject *dict, PyObject *name, PyObject *value)
{
    PyObject *cell = PyDict_GetItemWithError(dict, name);
    if (!cell) return PyErr_Occurred() ? -1 : 0;
    if (!PyCell_Check(cell)) {
        PyErr_Format(PyExc_TypeError, "%U must be a nonlocal cell, not %.200R", name, Py_TYPE(cell));
        return -1;
    }
    PyCell_Set(cell, value);
    return PyDict_DelItem(dict, name);
}

static int set_attributes(NewClass *c, PyTypeObject *type)
{
    PyHeapTypeObject *heap = (PyHeapTypeObject *)type;
    if (set_module(c) < 0 || set_qualname(c, heap) < 0 || set_doc(c, type) < 0) return -1;
    if (wrap_function(c->dict, STR(__new__), PyStaticMethod_New) < 0) return -1;
    if (wrap_function(c->dict, STR(__init_subclass__), PyClassMethod_New) < 0) return -1;
    if (wrap_function(c->dict, STR(__class_getitem__), PyClassMethod_New) < 0) return -1;
    if (add_slot_members(c, heap) < 0) return -1;
    if (fill_cell(c->dict, STR(__classcell__), OBJECT(type)) < 0) return -1;
    return fill_cell(c->dict, STR(__classdictcell__), c->dict);
}

/* ---- after the class is there ------------------------------------------------------------------------------------------ */

/* The exception gets a note; it stays raised. */
COLD static void add_note(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    PyObject *exc = PyErr_GetRaisedException(), *note = PyUnicode_FromFormatV(format, args), *r = NULL;
    va_end(args);
    if (note) r = PyObject_CallMethodOneArg(exc, STR(add_note), note);
    Py_XDECREF(note);
    if (!r) PyErr_Clear();
    Py_XDECREF(r);
    PyErr_SetRaisedException(exc);
}

static int type_set_names(PyTypeObject *type)
{
    Py_ssize_t pos = 0;
    PyObject *key, *value, *copy = NULL;
    /* Most classes hold nothing with __set_name__: look before copying. */
    bool any = false;
    while (!any && PyDict_Next(type->tp_dict, &pos, &key, &value)) {
        if (PyFunction_Check(value) || PyUnicode_CheckExact(value)) continue;
        any = type_lookup(Py_TYPE(value), STR(__set_name__)) != NULL;
    }
    if (!any) return 0;
    if (!(copy = PyDict_Copy(type->tp_dict))) return -1;
    int status = 0;
    pos = 0;
    while (status == 0 && PyDict_Next(copy, &pos, &key, &value)) {
        PyObject *method = type_lookup_special_bound(value, STR(__set_name__));
        if (!method) {
            if (PyErr_Occurred()) status = -1;
            continue;
        }
        PyObject *args[] = { OBJECT(type), key }, *r = PyObject_Vectorcall(method, args, 2, NULL);
        Py_DECREF(method);
        if (!r) {
            add_note("Error calling __set_name__ on '%.100s' instance %R in '%.100s'", Py_TYPE(value)->tp_name, key, type->tp_name);
            status = -1;
        }
        Py_XDECREF(r);
    }
    Py_DECREF(copy);
    return status;
}

/* Is super(type, type).__init_subclass__ object's? */
static bool init_subclass_is_default(PyTypeObject *type)
{
    PyObject *mro = Py_NewRef(type->tp_mro);                 /* a hostile __eq__ of a key may replace it */
    bool is_default = false;
    for (Py_ssize_t i = 1; i < PyTuple_GET_SIZE(mro) && !is_default; i++) {
        PyTypeObject *base = (PyTypeObject *)PyTuple_GET_ITEM(mro, i);
        is_default = base == &PyBaseObject_Type;
        if (!is_default && (!base->tp_dict || PyDict_Contains(base->tp_dict, STR(__init_subclass__)))) break;
    }
    Py_DECREF(mro);
    return is_default;
}

static int type_init_subclass(PyTypeObject *type, PyObject *kwds)
{
    if ((!kwds || PyDict_GET_SIZE(kwds) == 0) && init_subclass_is_default(type)) return 0;
    PyErr_Clear();
    PyObject *args[] = { OBJECT(type), OBJECT(type) };
    PyObject *super = PyObject_Vectorcall(OBJECT(&PySuper_Type), args, 2, NULL);
    if (!super) return -1;
    PyObject *method = PyObject_GetAttr(super, STR(__init_subclass__));
    Py_DECREF(super);
    if (!method) return -1;
    PyObject *r = PyObject_VectorcallDict(method, NULL, 0, kwds);
    Py_DECREF(method);
    Py_XDECREF(r);
    return r ? 0 : -1;
}

/* ---- the struct ---------------------------------------------------------------------------------------------------------- */

static PyTypeObject *allocate(NewClass *c)
{
    PyTypeObject *type = (PyTypeObject *)c->metatype->tp_alloc(c->metatype, c->slots ? PyTuple_GET_SIZE(c->slots) : 0);
    if (!type) return NULL;
    PyHeapTypeObject *heap = (PyHeapTypeObject *)type;
    type->tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HEAPTYPE | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC;
    type->tp_as_async = &heap->as_async;
    type->tp_as_number = &heap->as_number;
    type->tp_as_sequence = &heap->as_sequence;
    type->tp_as_mapping = &heap->as_mapping;
    type->tp_as_buffer = &heap->as_buffer;
    type->tp_bases = Py_NewRef(c->bases);
    type->tp_base = (PyTypeObject *)Py_NewRef(c->base);
    type->tp_dict = Py_NewRef(c->dict);
    type->tp_dealloc = subtype_dealloc;
    type->tp_traverse = subtype_traverse;
    type->tp_clear = subtype_clear;
    type->tp_alloc = PyType_GenericAlloc;
    type->tp_free = PyObject_GC_Del;
    heap->ht_name = Py_NewRef(c->name);
    heap->ht_slots = Py_XNewRef(c->slots);
    if (c->metatype->tp_call == (ternaryfunc)(void (*)(void))type_call) type->tp_vectorcall = class_vectorcall;
    Py_ssize_t n;
    type->tp_name = PyUnicode_AsUTF8AndSize(c->name, &n);
    if (type->tp_name && strlen(type->tp_name) == (size_t)n) return type;
    if (type->tp_name) PyErr_SetString(PyExc_ValueError, "type name must not contain null characters");
    Py_DECREF(type);
    return NULL;
}

static int warn_odd_keys(PyTypeObject *type)
{
    Py_ssize_t pos = 0;
    PyObject *key, *value;
    while (PyDict_Next(type->tp_dict, &pos, &key, &value))
        if (UNLIKELY(!PyUnicode_Check(key)))
            return PyErr_WarnFormat(PyExc_RuntimeWarning, 1, "non-string key in the __dict__ of class %.200s", type->tp_name);
    return 0;
}

static PyObject *make_class(NewClass *c)
{
    PyTypeObject *type = NULL;
    c->dict = PyDict_Copy(c->given_dict);
    if (!c->dict || new_slots(c) < 0 || !(type = allocate(c))) return NULL;
    if (set_attributes(c, type) < 0 || PyType_Ready(type) < 0) goto error;
    /* with one base all other slots are inherited as they are */
    int status = PyTuple_GET_SIZE(c->bases) == 1 && type->tp_mro && Py_IS_TYPE(type, &PyType_Type) ? type_fix_own_slots(type)
                                                                                                  : type_fix_slots(type);
    if (status < 0 || warn_odd_keys(type) < 0 || type_set_names(type) < 0 || type_init_subclass(type, c->kwds) < 0) goto error;
    return OBJECT(type);
error:
    Py_DECREF(type);
    return NULL;
}

static int check_argument(PyObject *args, int i, PyTypeObject *type)
{
    PyObject *o = PyTuple_GET_ITEM(args, i);
    if (PyObject_TypeCheck(o, type)) return 0;
    PyErr_Format(PyExc_TypeError, "type.__new__() argument %d must be %s, not %s", i + 1, type->tp_name,
                 o == Py_None ? "None" : Py_TYPE(o)->tp_name);
    return -1;
}

/* The metaclass that counts and the best base. 1: *result is what another metaclass made; 0: go on; -1 error. */
static int choose_bases(NewClass *c, PyObject **result)
{
    if (PyTuple_GET_SIZE(c->bases) == 0) {
        c->base = &PyBaseObject_Type;
        PyObject *bases = PyTuple_Pack(1, c->base);
        if (!bases) return -1;
        Py_SETREF(c->bases, bases);
        return 0;
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(c->bases); i++) {
        PyObject *base = PyTuple_GET_ITEM(c->bases, i);
        if (PyType_Check(base)) continue;
        int has = PyObject_HasAttrWithError(base, STR(__mro_entries__));
        if (has > 0) PyErr_SetString(PyExc_TypeError, "type() doesn't support MRO entry resolution; use types.new_class()");
        if (has) return -1;
    }
    PyTypeObject *winner = type_calculate_metaclass(c->metatype, c->bases);
    if (!winner) return -1;
    if (winner != c->metatype) {
        if (winner->tp_new != type_new) {
            *result = winner->tp_new(winner, c->args, c->kwds);
            return *result ? 1 : -1;
        }
        c->metatype = winner;
    }
    return (c->base = type_best_base(c->bases)) ? 0 : -1;
}

PyObject *type_new(PyTypeObject *metatype, PyObject *args, PyObject *kwds)
{
    if (PyTuple_GET_SIZE(args) != 3) {
        PyErr_Format(PyExc_TypeError, "type.__new__() takes exactly 3 arguments (%zd given)", PyTuple_GET_SIZE(args));
        return NULL;
    }
    if (check_argument(args, 0, &PyUnicode_Type) < 0 || check_argument(args, 1, &PyTuple_Type) < 0 ||
        check_argument(args, 2, &PyDict_Type) < 0)
        return NULL;
    NewClass c = { .metatype = metatype, .args = args, .kwds = kwds };
    c.name = PyTuple_GET_ITEM(args, 0);
    c.bases = Py_NewRef(PyTuple_GET_ITEM(args, 1));
    c.given_dict = PyTuple_GET_ITEM(args, 2);
    PyObject *result = NULL;
    if (choose_bases(&c, &result) == 0) result = make_class(&c);
    Py_XDECREF(c.slots);
    Py_XDECREF(c.dict);
    Py_DECREF(c.bases);
    return result;
}

/* ---- __new__ of C types -------------------------------------------------------------------------------------------------- */

static PyObject *new_wrapper(PyObject *self, PyObject *args, PyObject *kwds)
{
    PyTypeObject *type = (PyTypeObject *)self;
    if (PyTuple_GET_SIZE(args) < 1) {
        PyErr_Format(PyExc_TypeError, "%s.__new__(): not enough arguments", type->tp_name);
        return NULL;
    }
    PyObject *first = PyTuple_GET_ITEM(args, 0);
    if (!PyType_Check(first)) {
        PyErr_Format(PyExc_TypeError, "%s.__new__(X): X is not a type object (%s)", type->tp_name, Py_TYPE(first)->tp_name);
        return NULL;
    }
    PyTypeObject *subtype = (PyTypeObject *)first, *base = subtype;
    if (!PyType_IsSubtype(subtype, type)) {
        PyErr_Format(PyExc_TypeError, "%s.__new__(%s): %s is not a subtype of %s", type->tp_name, subtype->tp_name, subtype->tp_name,
                     type->tp_name);
        return NULL;
    }
    /* The C constructor that fits subtype's layout: going around it (object.__new__(dict)) would leave fields unset. */
    while (base && base->tp_new == slot_tp_new) base = base->tp_base;
    if (base && base->tp_new != type->tp_new) {
        PyErr_Format(PyExc_TypeError, "%s.__new__(%s) is not safe, use %s.__new__()", type->tp_name, subtype->tp_name, base->tp_name);
        return NULL;
    }
    PyObject *rest = PyTuple_GetSlice(args, 1, PyTuple_GET_SIZE(args));
    if (!rest) return NULL;
    PyObject *result = type->tp_new(subtype, rest, kwds);
    Py_DECREF(rest);
    return result;
}

static PyMethodDef new_wrapper_def = {
    "__new__", (PyCFunction)(void (*)(void))new_wrapper, METH_VARARGS | METH_KEYWORDS,
    "__new__($type, *args, **kwargs)\n--\n\nCreate and return a new object.  See help(type) for accurate signature.",
};

bool type_is_new_wrapper(PyObject *o)
{
    return Py_IS_TYPE(o, &PyCFunction_Type) && ((PyCFunctionObject *)o)->m_ml == &new_wrapper_def;
}

int type_add_new_wrapper(PyTypeObject *type)
{
    int there = PyDict_Contains(type->tp_dict, STR(__new__));
    if (there) return there < 0 ? -1 : 0;
    PyObject *function = PyCFunction_NewEx(&new_wrapper_def, OBJECT(type), NULL);
    if (!function) return -1;
    int status = PyDict_SetItem(type->tp_dict, STR(__new__), function);
    Py_DECREF(function);
    return status;
}
