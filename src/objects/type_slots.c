/* Special methods and C slots: the table that pairs them, and keeping the slots of a class in step with its dict.
 *
 * Invariant: for a heap type, each slot is what the lookup of its names along the MRO says: the inherited C function where
 * the lookup finds the wrapper of exactly one C function that suits the type, else a slot_* function that calls the method
 * found. Entries with the same offset stand together; a slot is always decided for all of its names at once. */
#include "objects/type_slots_private.h"

#define TP(field) (int)offsetof(PyTypeObject, field)
#define AM(field) (int)offsetof(PyHeapTypeObject, as_async.field)
#define NB(field) (int)offsetof(PyHeapTypeObject, as_number.field)
#define SQ(field) (int)offsetof(PyHeapTypeObject, as_sequence.field)
#define MP(field) (int)offsetof(PyHeapTypeObject, as_mapping.field)
#define BF(field) (int)offsetof(PyHeapTypeObject, as_buffer.field)

#define ENTRY(method, offset, function, wrapper, doc, flags) \
    { #method, offset, (void *)(function), (wrapperfunc)(void (*)(void))(wrapper), #method doc, flags, STR(method) }
#define SLOT(method, offset, function, wrapper, signature, text) \
    ENTRY(method, offset, function, wrapper, signature "\n--\n\n" text, 0)
#define NO_WRAPPER(method, offset, function) { #method, offset, (void *)(function), NULL, NULL, 0, STR(method) }
#define UNARY(method, field, text) SLOT(method, NB(field), slot_##field, wrap_unary, "($self, /)", text)
#define BINARY(method, reflected, field, operator_) \
    SLOT(method, NB(field), slot_##field, wrap_binary_left, "($self, value, /)", "Return self" operator_ "value."), \
    SLOT(reflected, NB(field), slot_##field, wrap_binary_right, "($self, value, /)", "Return value" operator_ "self.")
#define INPLACE(method, field, operator_) \
    SLOT(method, NB(field), slot_##field, wrap_binary, "($self, value, /)", "Return self" operator_ "value.")
#define COMPARE(method, name, operator_) \
    SLOT(method, TP(tp_richcompare), slot_tp_richcompare, wrap_##name, "($self, value, /)", "Return self" operator_ "value.")

struct wrapperbase type_slot_table[] = {
    NO_WRAPPER(__getattribute__, TP(tp_getattr), NULL),
    NO_WRAPPER(__getattr__, TP(tp_getattr), NULL),
    NO_WRAPPER(__setattr__, TP(tp_setattr), NULL),
    NO_WRAPPER(__delattr__, TP(tp_setattr), NULL),
    SLOT(__repr__, TP(tp_repr), slot_tp_repr, wrap_unary, "($self, /)", "Return repr(self)."),
    SLOT(__hash__, TP(tp_hash), slot_tp_hash, wrap_hash, "($self, /)", "Return hash(self)."),
    ENTRY(__call__, TP(tp_call), slot_tp_call, wrap_call, "($self, /, *args, **kwargs)\n--\n\nCall self as a function.",
          PyWrapperFlag_KEYWORDS),
    SLOT(__str__, TP(tp_str), slot_tp_str, wrap_unary, "($self, /)", "Return str(self)."),
    SLOT(__getattribute__, TP(tp_getattro), slot_tp_getattr_hook, wrap_binary, "($self, name, /)", "Return getattr(self, name)."),
    NO_WRAPPER(__getattr__, TP(tp_getattro), slot_tp_getattr_hook),
    SLOT(__setattr__, TP(tp_setattro), slot_tp_setattro, wrap_setattr, "($self, name, value, /)",
         "Implement setattr(self, name, value)."),
    SLOT(__delattr__, TP(tp_setattro), slot_tp_setattro, wrap_delattr, "($self, name, /)", "Implement delattr(self, name)."),
    COMPARE(__lt__, lt, "<"),
    COMPARE(__le__, le, "<="),
    COMPARE(__eq__, eq, "=="),
    COMPARE(__ne__, ne, "!="),
    COMPARE(__gt__, gt, ">"),
    COMPARE(__ge__, ge, ">="),
    SLOT(__iter__, TP(tp_iter), slot_tp_iter, wrap_unary, "($self, /)", "Implement iter(self)."),
    SLOT(__next__, TP(tp_iternext), slot_tp_iternext, wrap_next, "($self, /)", "Implement next(self)."),
    SLOT(__get__, TP(tp_descr_get), slot_tp_descr_get, wrap_descr_get, "($self, instance, owner=None, /)",
         "Return an attribute of instance, which is of type owner."),
    SLOT(__set__, TP(tp_descr_set), slot_tp_descr_set, wrap_descr_set, "($self, instance, value, /)",
         "Set an attribute of instance to value."),
    SLOT(__delete__, TP(tp_descr_set), slot_tp_descr_set, wrap_descr_delete, "($self, instance, /)",
         "Delete an attribute of instance."),
    ENTRY(__init__, TP(tp_init), slot_tp_init, wrap_init,
          "($self, /, *args, **kwargs)\n--\n\nInitialize self.  See help(type(self)) for accurate signature.", PyWrapperFlag_KEYWORDS),
    ENTRY(__new__, TP(tp_new), slot_tp_new, NULL,
          "(type, /, *args, **kwargs)\n--\n\nCreate and return new object.  See help(type) for accurate signature.", 0),
    SLOT(__del__, TP(tp_finalize), slot_tp_finalize, wrap_del, "($self, /)", "Called when instance is about to be destroyed."),
    SLOT(__buffer__, BF(bf_getbuffer), slot_bf_getbuffer, wrap_buffer, "($self, flags, /)",
         "Return a buffer object that exposes the underlying memory of the object."),
    SLOT(__release_buffer__, BF(bf_releasebuffer), slot_bf_releasebuffer, wrap_release_buffer, "($self, buffer, /)",
         "Release the buffer object that exposes the underlying memory of the object."),
    SLOT(__await__, AM(am_await), slot_am_await, wrap_unary, "($self, /)", "Return an iterator to be used in await expression."),
    SLOT(__aiter__, AM(am_aiter), slot_am_aiter, wrap_unary, "($self, /)", "Return an awaitable, that resolves in asynchronous iterator."),
    SLOT(__anext__, AM(am_anext), slot_am_anext, wrap_unary, "($self, /)", "Return a value or raise StopAsyncIteration."),
    BINARY(__add__, __radd__, nb_add, "+"),
    BINARY(__sub__, __rsub__, nb_subtract, "-"),
    BINARY(__mul__, __rmul__, nb_multiply, "*"),
    BINARY(__mod__, __rmod__, nb_remainder, "%"),
    SLOT(__divmod__, NB(nb_divmod), slot_nb_divmod, wrap_binary_left, "($self, value, /)", "Return divmod(self, value)."),
    SLOT(__rdivmod__, NB(nb_divmod), slot_nb_divmod, wrap_binary_right, "($self, value, /)", "Return divmod(value, self)."),
    SLOT(__pow__, NB(nb_power), slot_nb_power, wrap_ternary, "($self, value, mod=None, /)", "Return pow(self, value, mod)."),
    SLOT(__rpow__, NB(nb_power), slot_nb_power, wrap_ternary_right, "($self, value, mod=None, /)", "Return pow(value, self, mod)."),
    UNARY(__neg__, nb_negative, "-self"),
    UNARY(__pos__, nb_positive, "+self"),
    UNARY(__abs__, nb_absolute, "abs(self)"),
    SLOT(__bool__, NB(nb_bool), slot_nb_bool, wrap_bool, "($self, /)", "True if self else False"),
    UNARY(__invert__, nb_invert, "~self"),
    BINARY(__lshift__, __rlshift__, nb_lshift, "<<"),
    BINARY(__rshift__, __rrshift__, nb_rshift, ">>"),
    BINARY(__and__, __rand__, nb_and, "&"),
    BINARY(__xor__, __rxor__, nb_xor, "^"),
    BINARY(__or__, __ror__, nb_or, "|"),
    UNARY(__int__, nb_int, "int(self)"),
    UNARY(__float__, nb_float, "float(self)"),
    INPLACE(__iadd__, nb_inplace_add, "+="),
    INPLACE(__isub__, nb_inplace_subtract, "-="),
    INPLACE(__imul__, nb_inplace_multiply, "*="),
    INPLACE(__imod__, nb_inplace_remainder, "%="),
    SLOT(__ipow__, NB(nb_inplace_power), slot_nb_inplace_power, wrap_ternary, "($self, value, /)", "Return self**=value."),
    INPLACE(__ilshift__, nb_inplace_lshift, "<<="),
    INPLACE(__irshift__, nb_inplace_rshift, ">>="),
    INPLACE(__iand__, nb_inplace_and, "&="),
    INPLACE(__ixor__, nb_inplace_xor, "^="),
    INPLACE(__ior__, nb_inplace_or, "|="),
    BINARY(__floordiv__, __rfloordiv__, nb_floor_divide, "//"),
    BINARY(__truediv__, __rtruediv__, nb_true_divide, "/"),
    INPLACE(__ifloordiv__, nb_inplace_floor_divide, "//="),
    INPLACE(__itruediv__, nb_inplace_true_divide, "/="),
    SLOT(__index__, NB(nb_index), slot_nb_index, wrap_unary, "($self, /)",
         "Return self converted to an integer, if self is suitable for use as an index into a list."),
    BINARY(__matmul__, __rmatmul__, nb_matrix_multiply, "@"),
    INPLACE(__imatmul__, nb_inplace_matrix_multiply, "@="),
    SLOT(__len__, MP(mp_length), slot_sq_length, wrap_len, "($self, /)", "Return len(self)."),
    SLOT(__getitem__, MP(mp_subscript), slot_mp_subscript, wrap_binary, "($self, key, /)", "Return self[key]."),
    SLOT(__setitem__, MP(mp_ass_subscript), slot_mp_ass_subscript, wrap_set_subscript, "($self, key, value, /)",
         "Set self[key] to value."),
    SLOT(__delitem__, MP(mp_ass_subscript), slot_mp_ass_subscript, wrap_del_subscript, "($self, key, /)", "Delete self[key]."),
    SLOT(__len__, SQ(sq_length), slot_sq_length, wrap_len, "($self, /)", "Return len(self)."),
    /* No function of their own: where only these C slots exist, the abstract layer calls them; a Python method of the name
     * goes to the number slot. */
    SLOT(__add__, SQ(sq_concat), NULL, wrap_binary, "($self, value, /)", "Return self+value."),
    SLOT(__mul__, SQ(sq_repeat), NULL, wrap_index_argument, "($self, value, /)", "Return self*value."),
    SLOT(__rmul__, SQ(sq_repeat), NULL, wrap_index_argument, "($self, value, /)", "Return value*self."),
    SLOT(__getitem__, SQ(sq_item), slot_sq_item, wrap_item, "($self, key, /)", "Return self[key]."),
    SLOT(__setitem__, SQ(sq_ass_item), slot_sq_ass_item, wrap_set_item, "($self, key, value, /)", "Set self[key] to value."),
    SLOT(__delitem__, SQ(sq_ass_item), slot_sq_ass_item, wrap_del_item, "($self, key, /)", "Delete self[key]."),
    SLOT(__contains__, SQ(sq_contains), slot_sq_contains, wrap_contains, "($self, key, /)", "Return bool(key in self)."),
    SLOT(__iadd__, SQ(sq_inplace_concat), NULL, wrap_binary, "($self, value, /)", "Implement self+=value."),
    SLOT(__imul__, SQ(sq_inplace_repeat), NULL, wrap_index_argument, "($self, value, /)", "Implement self*=value."),
    { NULL },
};

/* Where the slot at an offset of PyHeapTypeObject really is; NULL when the type has no such suite. */
static void **slot_pointer(PyTypeObject *type, int offset)
{
    char *suite;
    if ((size_t)offset < sizeof(PyTypeObject)) return (void **)(void *)((char *)type + offset);
    if (offset >= (int)offsetof(PyHeapTypeObject, as_buffer)) {
        suite = (char *)type->tp_as_buffer;
        offset -= (int)offsetof(PyHeapTypeObject, as_buffer);
    }
    else if (offset >= (int)offsetof(PyHeapTypeObject, as_sequence)) {
        suite = (char *)type->tp_as_sequence;
        offset -= (int)offsetof(PyHeapTypeObject, as_sequence);
    }
    else if (offset >= (int)offsetof(PyHeapTypeObject, as_mapping)) {
        suite = (char *)type->tp_as_mapping;
        offset -= (int)offsetof(PyHeapTypeObject, as_mapping);
    }
    else if (offset >= (int)offsetof(PyHeapTypeObject, as_number)) {
        suite = (char *)type->tp_as_number;
        offset -= (int)offsetof(PyHeapTypeObject, as_number);
    }
    else {
        suite = (char *)type->tp_as_async;
        offset -= (int)offsetof(PyHeapTypeObject, as_async);
    }
    return suite ? (void **)(void *)(suite + offset) : NULL;
}

/* A name may stand for several slots (__add__: nb_add, sq_concat). The one of them that the type fills, when it is only one. */
static void **only_slot_of_name(PyTypeObject *type, PyObject *name)
{
    void **only = NULL;
    for (struct wrapperbase *p = type_slot_table; p->name; p++) {
        if (p->name_strobj != name) continue;
        void **at = slot_pointer(type, p->offset);
        if (!at || !*at) continue;
        if (only) return NULL;
        only = at;
    }
    return only;
}

static bool is_our_new_wrapper(PyObject *descr, void **at, PyTypeObject *type)
{
    return at == (void **)(void *)&type->tp_new && type_is_new_wrapper(descr);
}

/* Sets the slot that the entry p (the first of its offset) and its neighbours describe. Returns the next offset's entry, NULL
 * with an exception. */
static struct wrapperbase *update_one_slot(PyTypeObject *type, struct wrapperbase *p)
{
    void *specific = NULL, *generic = NULL;
    bool use_generic = false;
    int offset = p->offset;
    void **at = slot_pointer(type, offset);
    if (!at) {
        do p++; while (p->name && p->offset == offset);
        return p;
    }
    do {
        PyObject *descr;
        if (type_find_in_mro(type, p->name_strobj, &descr) < 0) return NULL;
        if (!descr) {
            if (at == (void **)(void *)&type->tp_iternext) specific = (void *)_PyObject_NextNotImplemented;
            continue;
        }
        PyWrapperDescrObject *d = (PyWrapperDescrObject *)descr;
        if (Py_IS_TYPE(descr, &PyWrapperDescr_Type) && d->d_base->name_strobj == p->name_strobj) {
            void **only = only_slot_of_name(type, p->name_strobj);
            if (!only || only == at) generic = p->function;
            if ((!specific || specific == d->d_wrapped) && d->d_base->wrapper == p->wrapper &&
                PyType_IsSubtype(type, PyDescr_TYPE(d)))
                specific = d->d_wrapped;
            else use_generic = true;               /* two different C functions, or of an unrelated type */
        }
        else if (is_our_new_wrapper(descr, at, type)) specific = (void *)type->tp_new;
        else if (descr == Py_None && at == (void **)(void *)&type->tp_hash) specific = (void *)PyObject_HashNotImplemented;
        else {
            use_generic = true;
            generic = p->function;
            if (p->function == (void *)slot_tp_call) type->tp_flags &= ~Py_TPFLAGS_HAVE_VECTORCALL;
        }
    } while ((++p)->name && p->offset == offset);
    *at = specific && !use_generic ? specific : generic;
    return p;
}

/* Subclasses that define name themselves keep their slots. */
static int update_with_subclasses(PyTypeObject *type, struct wrapperbase **groups, int count, PyObject *name)
{
    for (int i = 0; i < count; i++)
        if (!update_one_slot(type, groups[i])) return -1;
    for (Py_ssize_t i = 0;; i++) {
        SubclassList *list = *type_subclass_slot(type);
        if (!list || i >= list->count) return 0;
        if (Py_REFCNT(list->items[i]) <= 0) continue;        /* its destruction was put off */
        PyTypeObject *subclass = (PyTypeObject *)Py_NewRef(list->items[i]);
        int own = subclass->tp_dict && PyDict_CheckExact(subclass->tp_dict) ? PyDict_Contains(subclass->tp_dict, name) : 0;
        if (own == 0 && update_with_subclasses(subclass, groups, count, name) < 0) own = -1;
        Py_DECREF(subclass);
        if (own < 0) return -1;
    }
}

int type_update_slot(PyTypeObject *type, PyObject *name)
{
    struct wrapperbase *groups[10];
    int count = 0;
    for (struct wrapperbase *p = type_slot_table; p->name; p++) {
        if (p->name_strobj != name) continue;
        struct wrapperbase *first = p;
        while (first > type_slot_table && first[-1].offset == p->offset) first--;
        groups[count++] = first;
    }
    return count ? update_with_subclasses(type, groups, count, name) : 0;
}

int type_fix_slots(PyTypeObject *type)
{
    for (struct wrapperbase *p = type_slot_table; p->name;)
        if (!(p = update_one_slot(type, p))) return -1;
    return 0;
}

/* The entry that begins the group of an offset. */
static struct wrapperbase *group_of(int offset)
{
    struct wrapperbase *p = type_slot_table;
    while (p->offset != offset) p++;
    return p;
}

/* A namespace given to type() may hold names that were made at run time: equal, and not the same object. */
static bool is_name(const struct wrapperbase *p, PyObject *key)
{
    return p->name_strobj == key || (!PyUnicode_CHECK_INTERNED(key) && PyUnicode_Compare(p->name_strobj, key) == 0);
}

/* The slots of a new class with one base: all inherited but those its own dict names. */
int type_fix_own_slots(PyTypeObject *type)
{
    Py_ssize_t pos = 0;
    PyObject *key, *value;
    uint8_t done[ARRAY_LENGTH(type_slot_table)] = {0};
    while (PyDict_Next(type->tp_dict, &pos, &key, &value)) {
        if (!PyUnicode_Check(key) || !type_is_slot_name(key)) continue;
        Py_INCREF(key);                                      /* a hostile __eq__ of another key may delete it */
        int status = 0;
        for (struct wrapperbase *p = type_slot_table; p->name && status == 0; p++) {
            if (!is_name(p, key)) continue;
            struct wrapperbase *first = p;
            while (first > type_slot_table && first[-1].offset == p->offset) first--;
            if (done[first - type_slot_table]) continue;
            done[first - type_slot_table] = 1;
            if (!update_one_slot(type, first)) status = -1;
        }
        Py_DECREF(key);
        if (status < 0) return -1;
    }
    /* An iterator may be given another class while C code iterates over it. */
    if (!type->tp_iternext) type->tp_iternext = _PyObject_NextNotImplemented;
    /* Equality and hash are inherited together or not at all: a class that gives one has still to look for the other. */
    if (!type->tp_richcompare && !update_one_slot(type, group_of(TP(tp_richcompare)))) return -1;
    if (!type->tp_hash && !update_one_slot(type, group_of(TP(tp_hash)))) return -1;
    return 0;
}

bool type_is_slot_name(PyObject *name)
{
    assert(PyUnicode_Check(name));
    Py_ssize_t n = PyUnicode_GET_LENGTH(name);
    if (n < 5 || PyUnicode_KIND(name) != PyUnicode_1BYTE_KIND) return false;
    const Py_UCS1 *s = PyUnicode_1BYTE_DATA(name);
    return s[0] == '_' && s[1] == '_' && s[n - 2] == '_' && s[n - 1] == '_';
}

/* Slot wrappers for the C functions that type defines itself. */
int type_add_operators(PyTypeObject *type)
{
    PyObject *dict = type->tp_dict;
    for (struct wrapperbase *p = type_slot_table; p->name; p++) {
        if (!p->wrapper) continue;
        void **at = slot_pointer(type, p->offset);
        if (!at || !*at) continue;
        int there = PyDict_Contains(dict, p->name_strobj);
        if (there < 0) return -1;
        if (there) continue;
        if (*at == (void *)PyObject_HashNotImplemented) {   /* how C says "not hashable" */
            if (PyDict_SetItem(dict, p->name_strobj, Py_None) < 0) return -1;
            continue;
        }
        PyObject *descr = PyDescr_NewWrapper(type, p, *at);
        if (!descr) return -1;
        int status = PyDict_SetItem(dict, p->name_strobj, descr);
        Py_DECREF(descr);
        if (status < 0) return -1;
    }
    return 0;
}
