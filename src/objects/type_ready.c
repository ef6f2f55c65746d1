/* PyType_Ready: makes a type struct usable. Inherits what it leaves out, fills its dict from its tables, computes its MRO.
 *
 * Invariant: a type with Py_TPFLAGS_READY has tp_dict, tp_bases and tp_mro, all its bases are ready, it stands in their lists
 * of subclasses, and every slot it does not define is its base's. Static built-in types are made ready once a process, before
 * a second interpreter exists; afterwards their structs and dicts are only read (interpreters share them), and their subclass
 * lists live in a table of the interpreter. */
#include "objects/type.h"

#include "capi/args.h"
#include "objects/types_extern.h"
#include "objects/unicode.h"

/* Or on its way: Python code of mro() and metaclasses may look at a class that is being made. */
bool type_is_ready(PyTypeObject *type) { return type->tp_flags & (Py_TPFLAGS_READY | Py_TPFLAGS_READYING); }
PyObject *type_dict(PyTypeObject *type) { return type->tp_dict; }
PyObject *PyType_GetDict(PyTypeObject *type) { return Py_XNewRef(type->tp_dict); }
unsigned long PyType_GetFlags(PyTypeObject *type) { return type->tp_flags; }

/* ---- documentation strings "name(signature)\n--\n\ntext" --------------------------------------------------------- */

const char *type_short_name(const PyTypeObject *type)
{
    const char *dot = strrchr(type->tp_name, '.');
    return dot ? dot + 1 : type->tp_name;
}

const char *_PyType_Name(PyTypeObject *type)
{
    if (type->tp_flags & Py_TPFLAGS_HEAPTYPE) return PyUnicode_AsUTF8(((PyHeapTypeObject *)type)->ht_name);
    return type_short_name(type);
}

/* Where "(" of the signature stands, and *end behind its ")"; NULL when doc does not begin with a signature. */
static const char *find_signature(const char *name, const char *doc, const char **end)
{
    if (!doc) return NULL;
    const char *dot = strrchr(name, '.');
    if (dot) name = dot + 1;
    size_t n = strlen(name);
    if (strncmp(doc, name, n) != 0 || doc[n] != '(') return NULL;
    const char *start = doc + n;
    for (const char *p = start; *p; p++) {
        if (*p == ')' && strncmp(p, ")\n--\n\n", 6) == 0) {
            *end = p + 1;
            return start;
        }
        if (*p == '\n' && p[1] == '\n') return NULL;        /* a blank line: prose */
    }
    return NULL;
}

PyObject *type_find_doc(const char *name, const char *doc)
{
    const char *end;
    if (find_signature(name, doc, &end)) doc = end + 5;
    if (!doc || !*doc) Py_RETURN_NONE;
    return PyUnicode_FromString(doc);
}

PyObject *type_find_text_signature(const char *name, const char *doc)
{
    const char *end, *start = find_signature(name, doc, &end);
    if (!start) Py_RETURN_NONE;
    return PyUnicode_FromStringAndSize(start, end - start);
}

/* Methods of no argument or one need not say it. */
PyObject *type_method_text_signature(const PyMethodDef *m)
{
    const char *end, *start = find_signature(m->ml_name, m->ml_doc, &end);
    if (start) return PyUnicode_FromStringAndSize(start, end - start);
    switch (m->ml_flags & ~(METH_COEXIST | METH_BARE_NAME)) {
        case METH_NOARGS: return PyUnicode_FromString("($self, /)");
        case METH_NOARGS | METH_CLASS: return PyUnicode_FromString("($type, /)");
        case METH_NOARGS | METH_STATIC: return PyUnicode_FromString("()");
        case METH_O: return PyUnicode_FromString("($self, object, /)");
        case METH_O | METH_CLASS: return PyUnicode_FromString("($type, object, /)");
        case METH_O | METH_STATIC: return PyUnicode_FromString("(object, /)");
        default: Py_RETURN_NONE;
    }
}

/* ---- the dict --------------------------------------------------------------------------------------------------- */

/* Sets name unless the dict has it (force: in any case). Steals value. */
static int dict_add(PyTypeObject *type, PyObject *name, PyObject *value, bool force)
{
    int status;
    if (!value) return -1;
    if (force) status = PyDict_SetItem(type->tp_dict, name, value);
    else status = PyDict_SetDefaultRef(type->tp_dict, name, value, NULL);
    Py_DECREF(value);
    return status < 0 ? -1 : 0;
}

static int dict_add_cstring(PyTypeObject *type, const char *name, PyObject *value, bool force)
{
    PyObject *key = PyUnicode_InternFromString(name);
    if (!key) {
        Py_XDECREF(value);
        return -1;
    }
    int status = dict_add(type, key, value, force);
    Py_DECREF(key);
    return status;
}

static PyObject *method_object(PyTypeObject *type, PyMethodDef *def)
{
    if (def->ml_flags & METH_CLASS) {
        if (def->ml_flags & METH_STATIC) {
            PyErr_SetString(PyExc_ValueError, "method cannot be both class and static");
            return NULL;
        }
        return PyDescr_NewClassMethod(type, def);
    }
    if (!(def->ml_flags & METH_STATIC)) return PyDescr_NewMethod(type, def);
    PyObject *function = PyCFunction_NewEx(def, OBJECT(type), NULL);
    if (!function) return NULL;
    PyObject *result = PyStaticMethod_New(function);
    Py_DECREF(function);
    return result;
}

static int fill_dict(PyTypeObject *type)
{
    if (type_add_operators(type) < 0) return -1;
    for (PyMethodDef *m = type->tp_methods; m && m->ml_name; m++)
        if (dict_add_cstring(type, m->ml_name, method_object(type, m), m->ml_flags & METH_COEXIST) < 0) return -1;
    for (PyMemberDef *m = type->tp_members; m && m->name; m++)
        if (dict_add_cstring(type, m->name, PyDescr_NewMember(type, m), false) < 0) return -1;
    for (PyGetSetDef *g = type->tp_getset; g && g->name; g++)
        if (dict_add_cstring(type, g->name, PyDescr_NewGetSet(type, g), false) < 0) return -1;
    int there = PyDict_Contains(type->tp_dict, STR(__doc__));
    if (there) return there < 0 ? -1 : 0;
    return dict_add(type, STR(__doc__), type->tp_doc ? type_find_doc(type->tp_name, type->tp_doc) : Py_NewRef(Py_None), true);
}

/* ---- inheritance ------------------------------------------------------------------------------------------------ */

static void inherit_class_kind(PyTypeObject *type, PyTypeObject *base)
{
    static const struct { PyTypeObject *base; unsigned long flags; } kinds[] = {
        { (PyTypeObject *)&PyType_Type, Py_TPFLAGS_TYPE_SUBCLASS },
        { &PyLong_Type, Py_TPFLAGS_LONG_SUBCLASS },
        { &PyBytes_Type, Py_TPFLAGS_BYTES_SUBCLASS },
        { &PyUnicode_Type, Py_TPFLAGS_UNICODE_SUBCLASS },
        { &PyTuple_Type, Py_TPFLAGS_TUPLE_SUBCLASS },
        { &PyList_Type, Py_TPFLAGS_LIST_SUBCLASS },
        { &PyDict_Type, Py_TPFLAGS_DICT_SUBCLASS },
    };
    if (PyType_IsSubtype(base, (PyTypeObject *)PyExc_BaseException)) {
        type->tp_flags |= Py_TPFLAGS_BASE_EXC_SUBCLASS;
        return;
    }
    for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++)
        if (PyType_IsSubtype(base, kinds[i].base)) {
            type->tp_flags |= kinds[i].flags;
            break;
        }
}

/* Flags, sizes and what belongs to memory: from the best base alone. */
static void inherit_special(PyTypeObject *type, PyTypeObject *base)
{
    if (!(type->tp_flags & Py_TPFLAGS_HAVE_GC) && base->tp_flags & Py_TPFLAGS_HAVE_GC && !type->tp_traverse && !type->tp_clear) {
        type->tp_flags |= Py_TPFLAGS_HAVE_GC;
        type->tp_traverse = base->tp_traverse;
        type->tp_clear = base->tp_clear;
    }
    type->tp_flags |= base->tp_flags & Py_TPFLAGS_PREHEADER;
    if (!type->tp_basicsize) type->tp_basicsize = base->tp_basicsize;
    if (!type->tp_itemsize) type->tp_itemsize = base->tp_itemsize;
    if (!type->tp_weaklistoffset) type->tp_weaklistoffset = base->tp_weaklistoffset;
    if (!type->tp_dictoffset) type->tp_dictoffset = base->tp_dictoffset;
    inherit_class_kind(type, base);
    if (base->tp_flags & _Py_TPFLAGS_MATCH_SELF) type->tp_flags |= _Py_TPFLAGS_MATCH_SELF;
    if (base->tp_flags & Py_TPFLAGS_ITEMS_AT_END) type->tp_flags |= Py_TPFLAGS_ITEMS_AT_END;
}

/* A base's slot counts when the base did not itself just inherit it. */
#define DEFINED(slot) (base->slot && (!above || base->slot != above->slot))
#define COPY(slot) do { if (!type->slot && DEFINED(slot)) type->slot = base->slot; } while (0)
#define SUITE(suite) (type->suite && base->suite && (above = base->tp_base, above && !above->suite ? (above = NULL, true) : true))

static void inherit_numbers(PyTypeObject *type, PyTypeObject *base)
{
    PyTypeObject *above;
    if (!SUITE(tp_as_number)) return;
#define NB(slot) COPY(tp_as_number->slot)
    NB(nb_add); NB(nb_subtract); NB(nb_multiply); NB(nb_remainder); NB(nb_divmod); NB(nb_power); NB(nb_negative);
    NB(nb_positive); NB(nb_absolute); NB(nb_bool); NB(nb_invert); NB(nb_lshift); NB(nb_rshift); NB(nb_and); NB(nb_xor);
    NB(nb_or); NB(nb_int); NB(nb_float); NB(nb_inplace_add); NB(nb_inplace_subtract); NB(nb_inplace_multiply);
    NB(nb_inplace_remainder); NB(nb_inplace_power); NB(nb_inplace_lshift); NB(nb_inplace_rshift); NB(nb_inplace_and);
    NB(nb_inplace_xor); NB(nb_inplace_or); NB(nb_true_divide); NB(nb_floor_divide); NB(nb_inplace_true_divide);
    NB(nb_inplace_floor_divide); NB(nb_index); NB(nb_matrix_multiply); NB(nb_inplace_matrix_multiply);
#undef NB
}

static void inherit_suites(PyTypeObject *type, PyTypeObject *base)
{
    PyTypeObject *above;
    inherit_numbers(type, base);
    if (SUITE(tp_as_async)) {
        COPY(tp_as_async->am_await); COPY(tp_as_async->am_aiter); COPY(tp_as_async->am_anext); COPY(tp_as_async->am_send);
    }
    if (SUITE(tp_as_sequence)) {
        COPY(tp_as_sequence->sq_length); COPY(tp_as_sequence->sq_concat); COPY(tp_as_sequence->sq_repeat);
        COPY(tp_as_sequence->sq_item); COPY(tp_as_sequence->sq_ass_item); COPY(tp_as_sequence->sq_contains);
        COPY(tp_as_sequence->sq_inplace_concat); COPY(tp_as_sequence->sq_inplace_repeat);
    }
    if (SUITE(tp_as_mapping)) {
        COPY(tp_as_mapping->mp_length); COPY(tp_as_mapping->mp_subscript); COPY(tp_as_mapping->mp_ass_subscript);
    }
    if (SUITE(tp_as_buffer)) {
        COPY(tp_as_buffer->bf_getbuffer); COPY(tp_as_buffer->bf_releasebuffer);
    }
}

/* 1 when type's own dict redefines equality or hash. */
static int overrides_hash(PyTypeObject *type)
{
    int r = PyDict_Contains(type->tp_dict, STR(__eq__));
    return r == 0 ? PyDict_Contains(type->tp_dict, STR(__hash__)) : r;
}

static int inherit_slots(PyTypeObject *type, PyTypeObject *base)
{
    inherit_suites(type, base);
    PyTypeObject *above = base->tp_base;
    COPY(tp_dealloc);
    if (!type->tp_getattr && !type->tp_getattro) {
        type->tp_getattr = base->tp_getattr;
        type->tp_getattro = base->tp_getattro;
    }
    if (!type->tp_setattr && !type->tp_setattro) {
        type->tp_setattr = base->tp_setattr;
        type->tp_setattro = base->tp_setattro;
    }
    COPY(tp_repr);
    COPY(tp_str);
    COPY(tp_vectorcall_offset);
    /* Vectorcall goes with tp_call; an own tp_call without the flag means that it does not. */
    if (!type->tp_call && base->tp_flags & Py_TPFLAGS_HAVE_VECTORCALL) type->tp_flags |= Py_TPFLAGS_HAVE_VECTORCALL;
    COPY(tp_call);
    if (!type->tp_richcompare && !type->tp_hash) {          /* equality and hash go together */
        int own = overrides_hash(type);
        if (own < 0) return -1;
        if (!own) {
            type->tp_richcompare = base->tp_richcompare;
            type->tp_hash = base->tp_hash;
        }
    }
    COPY(tp_iter);
    COPY(tp_iternext);
    COPY(tp_descr_get);
    if (type->tp_descr_get && type->tp_descr_get == base->tp_descr_get && base->tp_flags & Py_TPFLAGS_METHOD_DESCRIPTOR &&
        type->tp_flags & Py_TPFLAGS_IMMUTABLETYPE)
        type->tp_flags |= Py_TPFLAGS_METHOD_DESCRIPTOR;
    COPY(tp_descr_set);
    COPY(tp_dictoffset);
    COPY(tp_init);
    COPY(tp_alloc);
    COPY(tp_is_gc);
    COPY(tp_finalize);
    if ((type->tp_flags & Py_TPFLAGS_HAVE_GC) == (base->tp_flags & Py_TPFLAGS_HAVE_GC)) COPY(tp_free);
    else if (type->tp_flags & Py_TPFLAGS_HAVE_GC && !type->tp_free && base->tp_free == PyObject_Free)
        type->tp_free = PyObject_GC_Del;                    /* became collectable here */
    return 0;
}

/* Sequence or mapping for match statements. */
static void inherit_collection_flags(PyTypeObject *type, PyTypeObject *base)
{
    if (!(type->tp_flags & (Py_TPFLAGS_SEQUENCE | Py_TPFLAGS_MAPPING)))
        type->tp_flags |= base->tp_flags & (Py_TPFLAGS_SEQUENCE | Py_TPFLAGS_MAPPING);
}

static int inherit(PyTypeObject *type)
{
    PyTypeObject *base = type->tp_base;
    if (base) inherit_special(type, base);
    /* Suites first exist, then are filled; a static type that has none shares its base's. */
    PyObject *mro = type->tp_mro;
    for (Py_ssize_t i = 1; i < PyTuple_GET_SIZE(mro); i++) {
        PyObject *b = PyTuple_GET_ITEM(mro, i);
        if (!PyType_Check(b)) continue;
        if (inherit_slots(type, (PyTypeObject *)b) < 0) return -1;
        inherit_collection_flags(type, (PyTypeObject *)b);
    }
    if (!base) return 0;
    if (!type->tp_as_async) type->tp_as_async = base->tp_as_async;
    if (!type->tp_as_number) type->tp_as_number = base->tp_as_number;
    if (!type->tp_as_sequence) type->tp_as_sequence = base->tp_as_sequence;
    if (!type->tp_as_mapping) type->tp_as_mapping = base->tp_as_mapping;
    if (!type->tp_as_buffer) type->tp_as_buffer = base->tp_as_buffer;
    return 0;
}

/* ---- steps of PyType_Ready --------------------------------------------------------------------------------------- */

static int ready_bases(PyTypeObject *type)
{
    PyTypeObject *base = type->tp_base;
    if (!base && type != &PyBaseObject_Type) {
        base = &PyBaseObject_Type;
        type->tp_base = type->tp_flags & Py_TPFLAGS_HEAPTYPE ? (PyTypeObject *)Py_NewRef(base) : base;
    }
    if (base && !type_is_ready(base) && PyType_Ready(base) < 0) return -1;
    if (!Py_TYPE(type) && base) Py_SET_TYPE(type, Py_TYPE(base));
    if (!type->tp_bases) {
        type->tp_bases = base ? PyTuple_Pack(1, base) : PyTuple_New(0);
        if (!type->tp_bases) return -1;
    }
    if (!type->tp_dict && !(type->tp_dict = PyDict_New())) return -1;
    return 0;
}

static int ready_mro(PyTypeObject *type)
{
    if (type_mro_compute(type, NULL) < 0) return -1;
    if (type->tp_flags & Py_TPFLAGS_HEAPTYPE) return 0;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(type->tp_mro); i++) {
        PyTypeObject *base = (PyTypeObject *)PyTuple_GET_ITEM(type->tp_mro, i);
        if (PyType_Check(OBJECT(base)) && base->tp_flags & Py_TPFLAGS_HEAPTYPE) {
            PyErr_Format(PyExc_TypeError, "type '%.100s' is not dynamically allocated but its base type '%.100s' is dynamically "
                         "allocated", type->tp_name, base->tp_name);
            return -1;
        }
    }
    return 0;
}

static int ready_new(PyTypeObject *type)
{
    PyTypeObject *base = type->tp_base;
    /* A static type directly below object does not inherit object.__new__: its C constructor may be the only safe way. */
    if (!type->tp_new && base == &PyBaseObject_Type && !(type->tp_flags & Py_TPFLAGS_HEAPTYPE))
        type->tp_flags |= Py_TPFLAGS_DISALLOW_INSTANTIATION;
    if (type->tp_flags & Py_TPFLAGS_DISALLOW_INSTANTIATION) {
        type->tp_new = NULL;
        return 0;
    }
    if (type->tp_new) return type_add_new_wrapper(type);
    if (base) type->tp_new = base->tp_new;
    return 0;
}

static int ready_preheader(PyTypeObject *type)
{
    static const char message[] = "type %s has the Py_TPFLAGS_MANAGED_%s flag but tp_%soffset is set to incompatible value";
    if (type->tp_flags & Py_TPFLAGS_MANAGED_DICT) {
        if (type->tp_dictoffset > 0 || type->tp_dictoffset < -1) {
            PyErr_Format(PyExc_TypeError, "type %s has the Py_TPFLAGS_MANAGED_DICT flag but tp_dictoffset is set to incompatible value",
                         type->tp_name);
            return -1;
        }
        type->tp_dictoffset = -1;
    }
    if (type->tp_flags & Py_TPFLAGS_MANAGED_WEAKREF) {
        if (type->tp_weaklistoffset != 0 && type->tp_weaklistoffset != -32) {
            PyErr_Format(PyExc_TypeError, message, type->tp_name, "WEAKREF", "weaklist");
            return -1;
        }
        type->tp_weaklistoffset = -32;                      /* what CPython shows; memory/ keeps the list elsewhere */
    }
    return 0;
}

static int ready_hash(PyTypeObject *type)
{
    if (type->tp_hash) return 0;
    int there = PyDict_Contains(type->tp_dict, STR(__hash__));
    if (there) return there < 0 ? -1 : 0;
    if (PyDict_SetItem(type->tp_dict, STR(__hash__), Py_None) < 0) return -1;
    type->tp_hash = PyObject_HashNotImplemented;
    return 0;
}

static int ready_subclasses(PyTypeObject *type)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(type->tp_bases); i++) {
        PyObject *base = PyTuple_GET_ITEM(type->tp_bases, i);
        if (PyType_Check(base) && type_add_subclass((PyTypeObject *)base, type) < 0) return -1;
    }
    return 0;
}

static int ready_checks(PyTypeObject *type)
{
    if (type->tp_flags & Py_TPFLAGS_HAVE_GC && !type->tp_traverse) {
        PyErr_Format(PyExc_SystemError, "type %s has the Py_TPFLAGS_HAVE_GC flag but has no traverse function", type->tp_name);
        return -1;
    }
    if (type->tp_flags & Py_TPFLAGS_MANAGED_DICT && !(type->tp_flags & Py_TPFLAGS_HEAPTYPE)) {
        PyErr_Format(PyExc_SystemError, "type %s has the Py_TPFLAGS_MANAGED_DICT flag but not Py_TPFLAGS_HEAPTYPE flag", type->tp_name);
        return -1;
    }
    if (type->tp_flags & Py_TPFLAGS_MANAGED_DICT && type->tp_basicsize == sizeof(PyObject) && !type->tp_itemsize)
        type->tp_flags |= Py_TPFLAGS_INLINE_VALUES;
    /* Compiled modules pass static types off as heap types while they are made ready: those are immortal, and no longer than
     * their type struct. */
    if (type->tp_flags & Py_TPFLAGS_HEAPTYPE && !_Py_IsImmortal(OBJECT(type)) && !type_extra_new(type)) return -1;
    return 0;
}

static int ready_check_flags(PyTypeObject *type)
{
    if (!type->tp_name) {
        PyErr_Format(PyExc_SystemError, "Type does not define the tp_name field.");
        return -1;
    }
    if (type->tp_flags & Py_TPFLAGS_METHOD_DESCRIPTOR && !type->tp_descr_get) {
        PyErr_Format(PyExc_SystemError, "type %s has the Py_TPFLAGS_METHOD_DESCRIPTOR flag but no tp_descr_get", type->tp_name);
        return -1;
    }
    if (type->tp_flags & Py_TPFLAGS_HAVE_VECTORCALL && (type->tp_vectorcall_offset <= 0 || !type->tp_call) &&
        !(type->tp_flags & Py_TPFLAGS_HEAPTYPE) && type->tp_call) {
        PyErr_Format(PyExc_SystemError, "type %s has the Py_TPFLAGS_HAVE_VECTORCALL flag but no tp_vectorcall_offset", type->tp_name);
        return -1;
    }
    return 0;
}

/* Python code may have replaced the MRO meanwhile; the order of the steps is CPython's. */
static int ready(PyTypeObject *type)
{
    if (ready_check_flags(type) < 0) return -1;
    if (ready_bases(type) < 0 || ready_mro(type) < 0 || ready_new(type) < 0 || fill_dict(type) < 0) return -1;
    if (inherit(type) < 0 || ready_preheader(type) < 0 || ready_hash(type) < 0) return -1;
    if (ready_subclasses(type) < 0 || ready_checks(type) < 0) return -1;
    return 0;
}

int PyType_Ready(PyTypeObject *type)
{
    if (type->tp_flags & Py_TPFLAGS_READY) return 0;
    assert(!(type->tp_flags & Py_TPFLAGS_READYING));
    if (!Py_TYPE(type)) Py_SET_TYPE(type, type->tp_base ? Py_TYPE(type->tp_base) : &PyType_Type);
    if (!(type->tp_flags & Py_TPFLAGS_HEAPTYPE)) {
        type->tp_flags |= Py_TPFLAGS_IMMUTABLETYPE;
        if (!_Py_IsImmortal(OBJECT(type))) Py_SET_REFCNT(OBJECT(type), _Py_IMMORTAL_REFCNT);
    }
    type->tp_flags |= Py_TPFLAGS_READYING;
    int status = ready(type);
    type->tp_flags &= ~Py_TPFLAGS_READYING;
    if (status == 0) type->tp_flags |= Py_TPFLAGS_READY;
    return status;
}

/* ---- static built-in types ---------------------------------------------------------------------------------------- */

static PyTypeObject *const static_types[] = {
#define TYPE(name) &name,
#define EXCEPTION(name)
#include "objects/types.def"
};

static PyObject **const static_exceptions[] = {
#define TYPE(name)
#define EXCEPTION(name) &PyExc_##name,
#include "objects/types.def"
};

/* A shared type's dict holds objects of all interpreters' common life: nothing may count, collect or free them. */
static void immortalize(PyObject *o)
{
    if (!o || _Py_IsImmortal(o)) return;
    if (PyObject_IS_GC(o) && !PyType_Check(o)) PyObject_GC_UnTrack(o);
    Py_SET_REFCNT(o, _Py_IMMORTAL_REFCNT);
}

static void immortalize_type(PyTypeObject *type)
{
    Py_ssize_t pos = 0;
    PyObject *key, *value;
    while (PyDict_Next(type->tp_dict, &pos, &key, &value)) {
        immortalize(key);
        immortalize(value);
        if (Py_IS_TYPE(value, &PyStaticMethod_Type) || Py_IS_TYPE(value, &PyClassMethod_Type)) {
            PyObject *inner = ((PyObject **)(void *)(value + 1))[0];
            immortalize(inner);
        }
    }
    immortalize(type->tp_dict);
    immortalize(type->tp_bases);
    immortalize(type->tp_mro);
}

static int ready_builtin(PyTypeObject *type, size_t index)
{
    if (!(type->tp_flags & Py_TPFLAGS_READY)) {
        type->tp_flags |= _Py_TPFLAGS_STATIC_BUILTIN | Py_TPFLAGS_IMMUTABLETYPE;
        type->tp_subclasses = (void *)(index + 1);
    }
    return 0;
}

static int ready_all(PyTypeObject *const *types, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (types[i] && PyType_Ready(types[i]) < 0) return -1;
    return 0;
}

enum { TYPE_COUNT = ARRAY_LENGTH(static_types), EXCEPTION_COUNT = ARRAY_LENGTH(static_exceptions) };
_Static_assert(TYPE_COUNT + EXCEPTION_COUNT + 16 < STATIC_TYPES_MAX, "enlarge the table");

static int init_shared(void)
{
    PyTypeObject *all[TYPE_COUNT + EXCEPTION_COUNT];
    size_t count = 0;
    for (size_t i = 0; i < TYPE_COUNT; i++) all[count++] = static_types[i];
    for (size_t i = 0; i < EXCEPTION_COUNT; i++)
        all[count++] = static_exceptions[i] ? (PyTypeObject *)*static_exceptions[i] : NULL;
    for (size_t i = 0; i < count; i++)
        if (all[i]) ready_builtin(all[i], i);
    if (ready_all(all, count) < 0 || datetime_types_init() < 0) return -1;
    for (size_t i = 0; i < count; i++) {
        if (!all[i]) continue;
        type_assign_version(all[i]);
        immortalize_type(all[i]);
    }
    assert(_PyRuntime.types.version < STATIC_TYPES_MAX);
    _PyRuntime.types.version = STATIC_TYPES_MAX;
    return 0;
}

int type_ready_builtin(PyTypeObject *type)
{
    if (type->tp_flags & Py_TPFLAGS_READY) return 0;
    TypeState *s = type_state();
    size_t index = STATIC_TYPES_MAX - 1;                    /* those outside the table are numbered from the end */
    while (index > TYPE_COUNT + EXCEPTION_COUNT && s->static_taken[index]) index--;
    if (index == TYPE_COUNT + EXCEPTION_COUNT) return PyType_Ready(type);
    s->static_taken[index] = true;
    ready_builtin(type, index);
    if (PyType_Ready(type) < 0) return -1;
    type_assign_version(type);
    immortalize_type(type);
    return 0;
}

int types_init(Interpreter *interp)
{
    bool first = !(PyBaseObject_Type.tp_flags & Py_TPFLAGS_READY);
    if (first && init_shared() < 0) return -1;
    if (!first) {                                           /* the subclass lists of this interpreter */
        for (size_t i = 0; i < TYPE_COUNT; i++)
            if (static_types[i] && ready_subclasses(static_types[i]) < 0) return -1;
        for (size_t i = 0; i < EXCEPTION_COUNT; i++)
            if (static_exceptions[i] && ready_subclasses((PyTypeObject *)*static_exceptions[i]) < 0) return -1;
    }
    return 0;
}

void types_fini(Interpreter *interp)
{
    TypeState *s = &interp->objects.types;
    PyType_ClearCache();
    for (size_t i = 0; i < SHAPE_CACHE_SIZE; i++) {
        Py_XDECREF(s->shape_cache[i].name);
        s->shape_cache[i] = (ShapeCacheEntry){0};
    }
    Py_CLEAR(s->typing);
    for (size_t i = 0; i < STATIC_TYPES_MAX; i++) {
        PyMem_Free(s->static_subclasses[i]);
        s->static_subclasses[i] = NULL;
    }
}
