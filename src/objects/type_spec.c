/* Types from specs (PyType_FromSpec and its kin), slots by number, module and type data of heap types. */
#include "objects/instance.h"

#include "objects/unicode.h"

#define TP(field) { (short)offsetof(PyHeapTypeObject, ht_type.field) }
#define SUITE(suite, field) { (short)offsetof(PyHeapTypeObject, suite.field) }

/* By number of slot (typeslots.h). */
static const struct { short offset; } slot_offsets[] = {
    { -1 },
    SUITE(as_buffer, bf_getbuffer), SUITE(as_buffer, bf_releasebuffer),
    SUITE(as_mapping, mp_ass_subscript), SUITE(as_mapping, mp_length), SUITE(as_mapping, mp_subscript),
    SUITE(as_number, nb_absolute), SUITE(as_number, nb_add), SUITE(as_number, nb_and), SUITE(as_number, nb_bool),
    SUITE(as_number, nb_divmod), SUITE(as_number, nb_float), SUITE(as_number, nb_floor_divide), SUITE(as_number, nb_index),
    SUITE(as_number, nb_inplace_add), SUITE(as_number, nb_inplace_and), SUITE(as_number, nb_inplace_floor_divide),
    SUITE(as_number, nb_inplace_lshift), SUITE(as_number, nb_inplace_multiply), SUITE(as_number, nb_inplace_or),
    SUITE(as_number, nb_inplace_power), SUITE(as_number, nb_inplace_remainder), SUITE(as_number, nb_inplace_rshift),
    SUITE(as_number, nb_inplace_subtract), SUITE(as_number, nb_inplace_true_divide), SUITE(as_number, nb_inplace_xor),
    SUITE(as_number, nb_int), SUITE(as_number, nb_invert), SUITE(as_number, nb_lshift), SUITE(as_number, nb_multiply),
    SUITE(as_number, nb_negative), SUITE(as_number, nb_or), SUITE(as_number, nb_positive), SUITE(as_number, nb_power),
    SUITE(as_number, nb_remainder), SUITE(as_number, nb_rshift), SUITE(as_number, nb_subtract), SUITE(as_number, nb_true_divide),
    SUITE(as_number, nb_xor),
    SUITE(as_sequence, sq_ass_item), SUITE(as_sequence, sq_concat), SUITE(as_sequence, sq_contains),
    SUITE(as_sequence, sq_inplace_concat), SUITE(as_sequence, sq_inplace_repeat), SUITE(as_sequence, sq_item),
    SUITE(as_sequence, sq_length), SUITE(as_sequence, sq_repeat),
    TP(tp_alloc), TP(tp_base), TP(tp_bases), TP(tp_call), TP(tp_clear), TP(tp_dealloc), TP(tp_del), TP(tp_descr_get),
    TP(tp_descr_set), TP(tp_doc), TP(tp_getattr), TP(tp_getattro), TP(tp_hash), TP(tp_init), TP(tp_is_gc), TP(tp_iter),
    TP(tp_iternext), TP(tp_methods), TP(tp_new), TP(tp_repr), TP(tp_richcompare), TP(tp_setattr), TP(tp_setattro), TP(tp_str),
    TP(tp_traverse), TP(tp_members), TP(tp_getset), TP(tp_free),
    SUITE(as_number, nb_matrix_multiply), SUITE(as_number, nb_inplace_matrix_multiply),
    SUITE(as_async, am_await), SUITE(as_async, am_aiter), SUITE(as_async, am_anext), TP(tp_finalize), SUITE(as_async, am_send),
};
_Static_assert(ARRAY_LENGTH(slot_offsets) == Py_am_send + 1, "one entry a slot number");

/* ---- what the spec says ------------------------------------------------------------------------------------------------ */

typedef struct SpecData {
    Py_ssize_t members;
    Py_ssize_t weaklist_offset, dict_offset, vectorcall_offset;
    const PyMemberDef *member_table;
    const char *doc;
    PyObject *bases;                                          /* Py_tp_bases or Py_tp_base, borrowed */
    bool has_basicsize_relative;
} SpecData;

static int read_member(const PyType_Spec *spec, const PyMemberDef *m, SpecData *d)
{
    d->members++;
    if (m->flags & Py_RELATIVE_OFFSET) {
        if (spec->basicsize > 0) {
            PyErr_SetString(PyExc_SystemError, "With Py_RELATIVE_OFFSET, basicsize must be negative.");
            return -1;
        }
        if (m->offset < 0 || m->offset >= -spec->basicsize) {
            PyErr_SetString(PyExc_SystemError, "Member offset out of range (0..-basicsize)");
            return -1;
        }
    }
    Py_ssize_t *offset = strcmp(m->name, "__weaklistoffset__") == 0 ? &d->weaklist_offset
                       : strcmp(m->name, "__dictoffset__") == 0 ? &d->dict_offset
                       : strcmp(m->name, "__vectorcalloffset__") == 0 ? &d->vectorcall_offset : NULL;
    if (!offset) return 0;
    if (m->type != Py_T_PYSSIZET || (m->flags & ~Py_RELATIVE_OFFSET) != Py_READONLY) {
        PyErr_Format(PyExc_SystemError, "type of %s must be Py_T_PYSSIZET", m->name);
        return -1;
    }
    *offset = m->offset;
    return 0;
}

static int read_spec(const PyType_Spec *spec, SpecData *d)
{
    for (const PyType_Slot *s = spec->slots; s->slot; s++) {
        if (s->slot < 0 || (size_t)s->slot >= ARRAY_LENGTH(slot_offsets)) {
            PyErr_SetString(PyExc_RuntimeError, "invalid slot offset");
            return -1;
        }
        switch (s->slot) {
        case Py_tp_members:
            if (d->member_table) {
                PyErr_SetString(PyExc_SystemError, "Multiple Py_tp_members slots are not supported.");
                return -1;
            }
            d->member_table = s->pfunc;
            for (const PyMemberDef *m = s->pfunc; m->name; m++)
                if (read_member(spec, m, d) < 0) return -1;
            break;
        case Py_tp_doc:
            if (d->doc) {
                PyErr_SetString(PyExc_SystemError, "Multiple Py_tp_doc slots are not supported.");
                return -1;
            }
            d->doc = s->pfunc ? s->pfunc : NULL;
            break;
        }
    }
    if (!spec->name) {
        PyErr_SetString(PyExc_SystemError, "Type spec does not define the name field.");
        return -1;
    }
    return 0;
}

/* NEW tuple. given: a tuple, a type, or NULL (then the slots say). */
static PyObject *spec_bases(const PyType_Spec *spec, PyObject *given)
{
    if (given) return PyTuple_Check(given) ? Py_NewRef(given) : PyTuple_Pack(1, given);
    PyTypeObject *base = &PyBaseObject_Type;
    PyObject *bases = NULL;
    for (const PyType_Slot *s = spec->slots; s->slot; s++) {
        if (s->slot == Py_tp_base) base = s->pfunc;
        else if (s->slot == Py_tp_bases) bases = s->pfunc;
    }
    if (!bases) return PyTuple_Pack(1, base);
    if (PyTuple_Check(bases)) return Py_NewRef(bases);
    PyErr_SetString(PyExc_SystemError, "Py_tp_bases is not a tuple");
    return NULL;
}

static int check_bases(const PyType_Spec *spec, PyObject *bases)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(bases); i++) {
        PyTypeObject *b = (PyTypeObject *)PyTuple_GET_ITEM(bases, i);
        if (!PyType_Check(OBJECT(b))) {
            PyErr_SetString(PyExc_TypeError, "bases must be types");
            return -1;
        }
        if (!(b->tp_flags & Py_TPFLAGS_BASETYPE)) {
            PyErr_Format(PyExc_TypeError, "type '%.100s' is not an acceptable base type", b->tp_name);
            return -1;
        }
        if (spec->flags & Py_TPFLAGS_IMMUTABLETYPE && !(b->tp_flags & Py_TPFLAGS_IMMUTABLETYPE)
            && PyErr_WarnFormat(PyExc_DeprecationWarning, 0, "Creating immutable type %s from mutable base %N is deprecated, and slated "
                                "to be disallowed in Python 3.14.", spec->name, b) < 0) return -1;
    }
    return 0;
}

/* Where the instance's part that this spec adds begins, and its whole size. */
static int spec_sizes(const PyType_Spec *spec, PyTypeObject *base, Py_ssize_t *basicsize, Py_ssize_t *data_offset)
{
    Py_ssize_t size = spec->basicsize;
    *data_offset = size;
    if (size == 0) size = base->tp_basicsize;
    else if (size < 0) {
        if (spec->itemsize == 0 && base->tp_itemsize && !(spec->flags & Py_TPFLAGS_ITEMS_AT_END) &&
            !(base->tp_flags & Py_TPFLAGS_ITEMS_AT_END)) {
            PyErr_SetString(PyExc_SystemError, "Cannot extend variable-size class without Py_TPFLAGS_ITEMS_AT_END.");
            return -1;
        }
        *data_offset = (base->tp_basicsize + 15) & ~(Py_ssize_t)15;
        size = *data_offset + ((-size + 15) & ~(Py_ssize_t)15);
    }
    *basicsize = size;
    return 0;
}

static char *copy_text(const char *text)
{
    size_t n = strlen(text) + 1;
    char *copy = PyMem_Malloc(n);
    if (copy) memcpy(copy, text, n);
    else PyErr_NoMemory();
    return copy;
}

static void copy_slots(PyHeapTypeObject *heap, const PyType_Spec *spec)
{
    for (const PyType_Slot *s = spec->slots; s->slot; s++) {
        if (s->slot == Py_tp_base || s->slot == Py_tp_bases || s->slot == Py_tp_doc || s->slot == Py_tp_members) continue;
        *(void **)(void *)((char *)heap + slot_offsets[s->slot].offset) = s->pfunc;
    }
}

static int copy_members(PyHeapTypeObject *heap, const SpecData *d, Py_ssize_t data_offset)
{
    PyMemberDef *to = PyObject_GetItemData(OBJECT(heap));
    heap->ht_type.tp_members = to;
    for (Py_ssize_t i = 0; i < d->members; i++) {
        to[i] = d->member_table[i];
        if (to[i].flags & Py_RELATIVE_OFFSET) {
            to[i].flags &= ~Py_RELATIVE_OFFSET;
            to[i].offset += data_offset;
        }
    }
    return 0;
}

static Py_ssize_t special_offset(const SpecData *d, Py_ssize_t offset, const char *name, Py_ssize_t data_offset)
{
    if (!offset && !d->members) return 0;
    for (Py_ssize_t i = 0; i < d->members; i++)
        if (strcmp(d->member_table[i].name, name) == 0 && d->member_table[i].flags & Py_RELATIVE_OFFSET) return offset + data_offset;
    return offset;
}

/* The module name in front of the last dot becomes __module__; a name without dot is deprecated. */
static int set_module_name(PyTypeObject *type, const char *name)
{
    const char *dot = strrchr(name, '.');
    if (!dot) {
        return PyErr_WarnFormat(PyExc_DeprecationWarning, 1, "builtin type %.200s has no __module__ attribute", type_short_name(type));
    }
    int there = PyDict_Contains(type->tp_dict, STR(__module__));
    if (there) return there < 0 ? -1 : 0;
    PyObject *module = PyUnicode_FromStringAndSize(name, dot - name);
    if (!module) return -1;
    PyUnicode_InternInPlace(&module);
    int status = PyDict_SetItem(type->tp_dict, STR(__module__), module);
    Py_DECREF(module);
    return status;
}

/* old_api: the functions that 3.11 had, which still take a metaclass with a tp_new of its own. */
static PyTypeObject *choose_metaclass(PyTypeObject *metaclass, PyObject *bases, const PyType_Spec *spec, bool old_api)
{
    if (!metaclass) metaclass = &PyType_Type;
    metaclass = type_calculate_metaclass(metaclass, bases);
    if (!metaclass) return NULL;
    if (!PyType_Check(OBJECT(metaclass)) || !PyType_IsSubtype(metaclass, &PyType_Type)) {
        PyErr_Format(PyExc_TypeError, "Metaclass '%R' is not a subclass of 'type'.", metaclass);
        return NULL;
    }
    if (!metaclass->tp_new || metaclass->tp_new == PyType_Type.tp_new) return metaclass;
    if (!old_api) PyErr_SetString(PyExc_TypeError, "Metaclasses with custom tp_new are not supported.");
    else if (PyErr_WarnFormat(PyExc_DeprecationWarning, 1, "Type %s uses PyType_Spec with a metaclass that has custom tp_new. This is "
                              "deprecated and will no longer be allowed in Python 3.14.", spec->name) == 0) return metaclass;
    return NULL;
}

static PyObject *type_from_spec(PyTypeObject *metaclass, PyObject *module, PyType_Spec *spec, PyObject *bases_given, bool old_api)
{
    SpecData d = {0};
    PyHeapTypeObject *heap = NULL;
    PyObject *bases = NULL, *name = NULL;
    Py_ssize_t basicsize, data_offset;
    if (read_spec(spec, &d) < 0 || !(bases = spec_bases(spec, bases_given))) return NULL;
    if (check_bases(spec, bases) < 0 || !(metaclass = choose_metaclass(metaclass, bases, spec, old_api))) goto error;
    PyTypeObject *base = type_best_base(bases);
    if (!base) goto error;
    if (!(base->tp_flags & Py_TPFLAGS_BASETYPE)) {
        PyErr_Format(PyExc_TypeError, "type '%.100s' is not an acceptable base type", base->tp_name);
        goto error;
    }
    if (spec_sizes(spec, base, &basicsize, &data_offset) < 0) goto error;
    heap = (PyHeapTypeObject *)metaclass->tp_alloc(metaclass, d.members);
    if (!heap) goto error;
    PyTypeObject *type = &heap->ht_type;
    const char *short_name = strrchr(spec->name, '.');
    short_name = short_name ? short_name + 1 : spec->name;
    type->tp_flags = (unsigned long)spec->flags | Py_TPFLAGS_HEAPTYPE;
    type->tp_as_async = &heap->as_async;
    type->tp_as_number = &heap->as_number;
    type->tp_as_sequence = &heap->as_sequence;
    type->tp_as_mapping = &heap->as_mapping;
    type->tp_as_buffer = &heap->as_buffer;
    if (!(name = PyUnicode_FromString(short_name))) goto error;
    heap->ht_name = name;
    heap->ht_qualname = Py_NewRef(name);
    if (!(heap->_ht_tpname = copy_text(spec->name))) goto error;
    type->tp_name = heap->_ht_tpname;
    heap->ht_module = Py_XNewRef(module);
    type->tp_base = (PyTypeObject *)Py_NewRef(base);
    type->tp_bases = bases;
    bases = NULL;
    type->tp_basicsize = basicsize;
    type->tp_itemsize = spec->itemsize;
    copy_slots(heap, spec);
    if (copy_members(heap, &d, data_offset) < 0) goto error;
    if (d.doc && !(type->tp_doc = copy_text(d.doc))) goto error;
    if (!type->tp_dealloc) type->tp_dealloc = subtype_dealloc;   /* NULL: inherited, but only from C types */
    if (d.vectorcall_offset) type->tp_vectorcall_offset = special_offset(&d, d.vectorcall_offset, "__vectorcalloffset__", data_offset);
    if (d.weaklist_offset) type->tp_weaklistoffset = special_offset(&d, d.weaklist_offset, "__weaklistoffset__", data_offset);
    if (d.dict_offset) type->tp_dictoffset = special_offset(&d, d.dict_offset, "__dictoffset__", data_offset);
    if (PyType_Ready(type) < 0 || set_module_name(type, spec->name) < 0) goto error;
    /* These two members are for C alone. */
    if (d.weaklist_offset && PyDict_PopString(type->tp_dict, "__weaklistoffset__", NULL) < 0) goto error;
    if (d.dict_offset && PyDict_PopString(type->tp_dict, "__dictoffset__", NULL) < 0) goto error;
    assert(!PyErr_Occurred());
    return OBJECT(heap);
error:
    Py_XDECREF(bases);
    Py_XDECREF(heap);
    return NULL;
}

PyObject *PyType_FromMetaclass(PyTypeObject *metaclass, PyObject *module, PyType_Spec *spec, PyObject *bases)
{
    return type_from_spec(metaclass, module, spec, bases, false);
}

PyObject *PyType_FromModuleAndSpec(PyObject *module, PyType_Spec *spec, PyObject *bases)
{
    return type_from_spec(NULL, module, spec, bases, true);
}

PyObject *PyType_FromSpecWithBases(PyType_Spec *spec, PyObject *bases) { return type_from_spec(NULL, NULL, spec, bases, true); }
PyObject *PyType_FromSpec(PyType_Spec *spec) { return type_from_spec(NULL, NULL, spec, NULL, true); }

/* ---- slots by number ------------------------------------------------------------------------------------------------------- */

void *PyType_GetSlot(PyTypeObject *type, int slot)
{
    if (slot <= 0 || (size_t)slot >= ARRAY_LENGTH(slot_offsets)) {
        PyErr_BadInternalCall();
        return NULL;
    }
    size_t offset = (size_t)slot_offsets[slot].offset;
    if (offset < sizeof(PyTypeObject)) return *(void **)(void *)((char *)type + offset);
    static const size_t suites[] = {                          /* start of each suite in the heap type, its pointer in the type */
        offsetof(PyHeapTypeObject, as_async), offsetof(PyTypeObject, tp_as_async),
        offsetof(PyHeapTypeObject, as_number), offsetof(PyTypeObject, tp_as_number),
        offsetof(PyHeapTypeObject, as_mapping), offsetof(PyTypeObject, tp_as_mapping),
        offsetof(PyHeapTypeObject, as_sequence), offsetof(PyTypeObject, tp_as_sequence),
        offsetof(PyHeapTypeObject, as_buffer), offsetof(PyTypeObject, tp_as_buffer),
    };
    size_t i = ARRAY_LENGTH(suites) - 2;
    while (offset < suites[i]) i -= 2;
    char *suite = *(char **)(void *)((char *)type + suites[i + 1]);
    return suite ? *(void **)(void *)(suite + (offset - suites[i])) : NULL;
}

/* ---- module and data of a type ------------------------------------------------------------------------------------------------ */

PyObject *PyType_GetModule(PyTypeObject *type)
{
    if (!(type->tp_flags & Py_TPFLAGS_HEAPTYPE)) {
        PyErr_Format(PyExc_TypeError, "PyType_GetModule: Type '%s' is not a heap type", type->tp_name);
        return NULL;
    }
    PyObject *module = ((PyHeapTypeObject *)type)->ht_module;
    if (!module) PyErr_Format(PyExc_TypeError, "PyType_GetModule: Type '%s' has no associated module", type->tp_name);
    return module;
}

void *PyType_GetModuleState(PyTypeObject *type)
{
    PyObject *module = PyType_GetModule(type);
    return module ? PyModule_GetState(module) : NULL;
}

PyObject *PyType_GetModuleByDef(PyTypeObject *type, PyModuleDef *def)
{
    PyObject *mro = type->tp_mro;
    for (Py_ssize_t i = 0; mro && i < PyTuple_GET_SIZE(mro); i++) {
        PyTypeObject *base = (PyTypeObject *)PyTuple_GET_ITEM(mro, i);
        if (!(base->tp_flags & Py_TPFLAGS_HEAPTYPE)) continue;
        PyObject *module = ((PyHeapTypeObject *)base)->ht_module;
        if (module && PyModule_Check(module) && PyModule_GetDef(module) == def) return module;
    }
    PyErr_Format(PyExc_TypeError, "PyType_GetModuleByDef: No superclass of '%s' has the given module", type->tp_name);
    return NULL;
}

void *PyObject_GetTypeData(PyObject *o, PyTypeObject *cls)
{
    return (char *)o + ((cls->tp_base->tp_basicsize + 15) & ~(Py_ssize_t)15);
}

Py_ssize_t PyType_GetTypeDataSize(PyTypeObject *cls)
{
    Py_ssize_t size = cls->tp_basicsize - ((cls->tp_base->tp_basicsize + 15) & ~(Py_ssize_t)15);
    return size < 0 ? 0 : size;
}
