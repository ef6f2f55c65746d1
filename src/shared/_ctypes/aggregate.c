/* Structure and Union: the layout of _fields_, the descriptors of fields, initialisation. */
#include "ctypes.h"

#include <limits.h>

typedef struct Field {
    PyObject_HEAD
    Py_ssize_t offset, size, index;           /* size: bits << 16 | shift for a bit-field */
    PyObject *proto;
    const Code *code;                         /* of bit-fields and of arrays of characters; else the type says how */
    bool anonymous;
} Field;

#define FIELD(o) ((Field *)(o))

/* ---- field descriptors ---- */

static PyObject *field_get(PyObject *self, PyObject *instance, PyObject *type)
{
    if (!instance) return Py_NewRef(self);
    CTypes *state = ctypes_state_of_type(Py_TYPE(self));
    if (!state) return NULL;
    if (!is_cdata(state, instance)) return PyErr_Format(PyExc_TypeError, "not a ctype instance");
    Field *f = FIELD(self);
    return cdata_get(state, f->proto, f->code, CDATA(instance), f->index, f->size, CDATA(instance)->ptr + f->offset);
}

static int field_set(PyObject *self, PyObject *instance, PyObject *value)
{
    CTypes *state = ctypes_state_of_type(Py_TYPE(self));
    if (!state) return -1;
    if (!is_cdata(state, instance)) {
        PyErr_SetString(PyExc_TypeError, "not a ctype instance");
        return -1;
    }
    if (!value) {
        PyErr_SetString(PyExc_TypeError, "can't delete attribute");
        return -1;
    }
    Field *f = FIELD(self);
    return cdata_set(state, CDATA(instance), f->proto, f->code, value, f->index, f->size, CDATA(instance)->ptr + f->offset);
}

static PyObject *field_repr(PyObject *self)
{
    Field *f = FIELD(self);
    Py_ssize_t bits = f->size >> 16, shift = f->size & 0xffff;
    const char *name = ((PyTypeObject *)f->proto)->tp_name;
    if (bits) return PyUnicode_FromFormat("<Field type=%s, ofs=%zd:%zd, bits=%zd>", name, f->offset, shift, bits);
    return PyUnicode_FromFormat("<Field type=%s, ofs=%zd, size=%zd>", name, f->offset, f->size);
}

static PyObject *field_offset(PyObject *self, void *closure) { return PyLong_FromSsize_t(FIELD(self)->offset); }
static PyObject *field_size(PyObject *self, void *closure) { return PyLong_FromSsize_t(FIELD(self)->size); }

static int field_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(FIELD(self)->proto);
    return 0;
}

static int field_clear(PyObject *self)
{
    Py_CLEAR(FIELD(self)->proto);
    return 0;
}

static void field_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    field_clear(self);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyGetSetDef field_getset[] = {
    { "offset", field_offset, NULL, "offset in bytes of this field", NULL }, { "size", field_size, NULL, "size in bytes of this field", NULL }, { 0 }
};
static PyType_Slot field_slots[] = {
    { Py_tp_dealloc, field_dealloc }, { Py_tp_traverse, field_traverse }, { Py_tp_clear, field_clear }, { Py_tp_repr, field_repr },
    { Py_tp_getset, field_getset }, { Py_tp_descr_get, field_get }, { Py_tp_descr_set, field_set }, { Py_tp_doc, (char *)"Structure/Union member" }, { 0, NULL }
};

/* ---- layout ---- */

/* The state of laying out, as C's compilers on this platform do it; bits: of the bit-field unit that is open, 0 if none. */
typedef struct Layout { Py_ssize_t size, offset, align, bits, used; bool is_union, big; long pack; } Layout;

/* Places one field; its offset and size go to *f. False if it shares the storage of the bit-field before it. */
static bool place_field(Layout *l, Info *info, int bits, Field *f)
{
    enum { PLAIN, NEW, CONTINUE, EXPAND } how = PLAIN;
    if (l->is_union) l->offset = l->bits = l->used = 0;
    if (bits && l->bits && info->size * 8 <= l->bits && l->used + bits <= l->bits) how = CONTINUE;
    else if (bits && l->bits && info->size * 8 >= l->bits && l->used + bits <= info->size * 8) how = EXPAND;
    else if (bits) how = NEW;
    if (how == NEW) {
        l->used = 0;
        l->bits = info->size * 8;
    }
    else if (how == PLAIN) l->used = l->bits = 0;
    if (how == EXPAND) {
        l->offset += info->size - l->bits / 8;
        l->size += info->size - l->bits / 8;
        l->bits = info->size * 8;
    }
    if (how == PLAIN || how == NEW) {
        Py_ssize_t align = l->pack && l->pack < info->align ? l->pack : info->align;
        if (align && l->offset % align) {
            Py_ssize_t delta = align - l->offset % align;
            l->size += delta;
            l->offset += delta;
        }
        f->offset = l->offset;
        l->offset += info->size;
        if (l->is_union) l->size = info->size > l->size ? info->size : l->size;
        else l->size += info->size;
        if (align > l->align) l->align = align;
    }
    else f->offset = l->offset - info->size;
    if (bits) {
        f->size = (Py_ssize_t)bits << 16 | (l->big ? l->bits - l->used - bits : l->used);
        l->used += bits;
    }
    else f->size = info->size;
    return how == PLAIN || how == NEW;
}

/* PEP 3118 text that grows. */
typedef struct Text { char *bytes; size_t n, room; } Text;

static int text_add(Text *t, const char *s)
{
    size_t n = strlen(s);
    if (t->n + n + 1 > t->room) {
        size_t room = (t->n + n + 1) * 2;
        char *larger = PyMem_Realloc(t->bytes, room);
        if (!larger) {
            PyErr_NoMemory();
            return -1;
        }
        t->bytes = larger;
        t->room = room;
    }
    memcpy(t->bytes + t->n, s, n + 1);
    t->n += n;
    return 0;
}

static int text_pad(Text *t, Py_ssize_t n)
{
    char buffer[32];
    if (n <= 0) return 0;
    snprintf(buffer, sizeof buffer, n == 1 ? "x" : "%zdx", n);
    return text_add(t, buffer);
}

static int text_field(Text *t, Info *info, const char *name)
{
    char buffer[32];
    if (info->ndim) {
        for (int i = 0; i < info->ndim; i++) {
            snprintf(buffer, sizeof buffer, i ? ",%zd" : "(%zd", info->shape[i]);
            if (text_add(t, buffer) < 0) return -1;
        }
        if (text_add(t, ")") < 0) return -1;
    }
    return text_add(t, info->format ? info->format : "B") < 0 || text_add(t, ":") < 0 || text_add(t, name) < 0 || text_add(t, ":") < 0 ? -1 : 0;
}

/* How libffi passes a structure depends on its members while it is small; of a larger one only the size counts. */
enum { FLAT_MAX = 64 };

static int count_members(CTypes *state, Info *info)
{
    if (info->kind != KIND_ARRAY || info->size > FLAT_MAX) return 1;
    Info *item = info_of_type(state, info->proto);
    int each = item ? count_members(state, item) : 1;
    return each * (int)info->length;
}

static ffi_type **add_members(CTypes *state, Info *info, ffi_type **out)
{
    if (info->kind != KIND_ARRAY || info->size > FLAT_MAX) {
        *out++ = info->ffi;
        return out;
    }
    Info *item = info_of_type(state, info->proto);
    for (Py_ssize_t i = 0; i < info->length; i++) out = add_members(state, item, out);
    return out;
}

enum { NO_BITS = INT_MIN };

static bool field_of_pair(PyObject *pair, PyObject **name, PyObject **type, int *bits, Info **info, CTypes *state)
{
    PyObject *count = NULL;
    *bits = 0;
    if (!PyTuple_Check(pair) || !PyArg_ParseTuple(pair, "UO|O", name, type, &count)) {
        PyErr_Clear();
        PyErr_SetString(PyExc_TypeError, "_fields_ must be a sequence of (name, C type) pairs");
        return false;
    }
    if (!(*info = info_of_type(state, *type))) return true;
    if (count) {
        *bits = PyLong_AsInt(count);
        return !(*bits == -1 && PyErr_Occurred());
    }
    *bits = NO_BITS;
    return true;
}

/* A flag that a class may set: its value when present. -1 on error. */
static int class_integer(PyObject *type, const char *name, long *value, const char *complaint)
{
    PyObject *o;
    int r = PyObject_GetOptionalAttrString(type, name, &o);
    if (r <= 0) return r;
    *value = PyLong_Check(o) || PyIndex_Check(o) ? PyLong_AsInt(o) : -1;
    Py_DECREF(o);
    if (*value < 0) {
        if (!PyErr_Occurred() || PyErr_ExceptionMatches(PyExc_TypeError) || PyErr_ExceptionMatches(PyExc_OverflowError))
            PyErr_SetString(PyExc_ValueError, complaint);
        return -1;
    }
    return 1;
}

/* A tuple of the items: code that runs while they are looked at cannot change it. */
static PyObject *fixed_sequence(PyObject *o, const char *complaint)
{
    PyObject *fast = PySequence_Fast(o, complaint), *tuple = fast ? PySequence_Tuple(fast) : NULL;
    Py_XDECREF(fast);
    return tuple;
}

/* The fields of an anonymous member become fields of type as well. */
static int lift_fields(CTypes *state, PyObject *type, Field *outer, Py_ssize_t index, Py_ssize_t offset)
{
    PyObject *fields = PyObject_GetAttrString(outer->proto, "_fields_"), *list = fields ? fixed_sequence(fields, "_fields_ must be a sequence") : NULL;
    int r = list ? 0 : -1;
    Py_XDECREF(fields);
    for (Py_ssize_t k = 0; r == 0 && k < PyTuple_GET_SIZE(list); k++) {
        PyObject *name = PySequence_GetItem(PyTuple_GET_ITEM(list, k), 0), *o = name ? PyObject_GetAttr(outer->proto, name) : NULL;
        r = -1;
        if (o && !Py_IS_TYPE(o, state->field)) PyErr_SetString(PyExc_TypeError, "unexpected type");
        else if (o && FIELD(o)->anonymous) r = lift_fields(state, type, FIELD(o), index + FIELD(o)->index, offset + FIELD(o)->offset);
        else if (o) {
            Field *made = (Field *)state->field->tp_alloc(state->field, 0);
            if (made) {
                made->offset = FIELD(o)->offset + offset;
                made->size = FIELD(o)->size;
                made->index = FIELD(o)->index + index;
                made->code = FIELD(o)->code;
                made->proto = Py_NewRef(FIELD(o)->proto);
                r = PyType_Type.tp_setattro(type, name, (PyObject *)made);
                Py_DECREF(made);
            }
        }
        Py_XDECREF(name);
        Py_XDECREF(o);
    }
    Py_XDECREF(list);
    return r;
}

static int lift_anonymous(CTypes *state, PyObject *type)
{
    PyObject *names;
    int r = PyObject_GetOptionalAttrString(type, "_anonymous_", &names);
    if (r <= 0) return r;
    PyObject *list = fixed_sequence(names, "_anonymous_ must be a sequence");
    Py_DECREF(names);
    r = list ? 0 : -1;
    for (Py_ssize_t i = 0; r == 0 && i < PyTuple_GET_SIZE(list); i++) {
        PyObject *name = PyTuple_GET_ITEM(list, i), *o = PyObject_GetAttr(type, name);
        if (o && !Py_IS_TYPE(o, state->field)) {
            PyErr_Format(PyExc_AttributeError, "'%U' is specified in _anonymous_ but not in _fields_", name);
            r = -1;
        }
        else if (o) {
            FIELD(o)->anonymous = true;
            r = lift_fields(state, type, FIELD(o), FIELD(o)->index, FIELD(o)->offset);
        }
        else r = -1;
        Py_XDECREF(o);
    }
    Py_XDECREF(list);
    return r;
}

int aggregate_start(CTypes *state, PyObject *type, Kind kind)
{
    Info *info = info_start(type, kind);
    if (!info) return -1;
    Info *base = info_of_type(state, (PyObject *)((PyTypeObject *)type)->tp_base);
    info->ffi = &info->own_ffi;
    info->own_ffi.type = FFI_TYPE_STRUCT;
    info->align = 1;
    if (!(info->format = format_copy("B", ""))) return -1;
    if (base) {                               /* as it stands until _fields_ is set */
        info->size = base->size;
        info->align = base->align;
        info->length = base->length;
        info->has_pointer = base->has_pointer;
        info->own_ffi = base->own_ffi;
        PyMem_Free(info->format);
        if (!(info->format = format_copy("", base->format ? base->format : "B"))) return -1;
        size_t n = 0;
        while (base->elements && base->elements[n]) n++;
        if (!(info->elements = PyMem_Calloc(n + 1, sizeof *info->elements))) {
            PyErr_NoMemory();
            return -1;
        }
        if (n) memcpy(info->elements, base->elements, n * sizeof *info->elements);
        info->own_ffi.elements = info->elements;
    }
    return 0;
}

/* A structure or union whose fields are being laid out. */
typedef struct Building {
    CTypes *state;
    PyObject *type, *fields;                  /* fields: tuple of (name, type[, bits]) */
    Info *info, *base;                        /* base: of the class it derives from, or NULL */
    Layout layout;
    Text format;                              /* of a structure; unions have "B" */
    ffi_type **elements, **member;            /* for libffi: all members, and the next place */
    bool pointers;
} Building;

/* Room for the members that libffi is told of. What is counted here is added later: from now on those types are final. */
static int start_elements(Building *b)
{
    size_t of_base = 0, members;
    while (b->base && b->base->elements && b->base->elements[of_base]) of_base++;
    members = of_base;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(b->fields); i++) {
        PyObject *name, *proto;
        Info *item;
        int bits;
        if (!field_of_pair(PyTuple_GET_ITEM(b->fields, i), &name, &proto, &bits, &item, b->state)) return -1;
        if (!item) continue;
        item->final = true;
        members += (size_t)count_members(b->state, item);
    }
    if (!(b->elements = PyMem_Calloc(members + 1, sizeof *b->elements))) {
        PyErr_NoMemory();
        return -1;
    }
    if (of_base) memcpy(b->elements, b->base->elements, of_base * sizeof *b->elements);
    b->member = b->elements + of_base;
    return 0;
}

/* "T{", or the format of the base without its end. */
static int start_format(Building *b)
{
    const char *of_base = b->base ? b->base->format : NULL;
    if (b->layout.is_union) return 0;
    if (!of_base || strlen(of_base) <= 2 || of_base[0] != 'T') return text_add(&b->format, "T{");
    char *copy = format_copy("", of_base);
    if (!copy) return -1;
    copy[strlen(copy) - 1] = 0;
    int status = text_add(&b->format, copy);
    PyMem_Free(copy);
    return status;
}

static int check_bits(PyObject *proto, const Info *item, int bits)
{
    char code = item->kind == KIND_SIMPLE ? item->code->code : 0;
    if (!code || !strchr("bBhHiIlLqQ?", code)) PyErr_Format(PyExc_TypeError, "bit fields not allowed for type %s", ((PyTypeObject *)proto)->tp_name);
    else if (bits <= 0 || bits > item->size * 8) PyErr_SetString(PyExc_ValueError, "number of bits invalid for bit field");
    else return 0;
    return -1;
}

/* Places field number i and makes its descriptor an attribute of the class. */
static int add_field(Building *b, Py_ssize_t i)
{
    PyObject *name, *proto;
    Info *item;
    int bits;
    if (!field_of_pair(PyTuple_GET_ITEM(b->fields, i), &name, &proto, &bits, &item, b->state)) return -1;
    if (!item) {
        PyErr_Format(PyExc_TypeError, "second item in _fields_ tuple (index %zd) must be a C type", i);
        return -1;
    }
    if (bits == NO_BITS) bits = 0;
    else if (check_bits(proto, item, bits) < 0) return -1;
    if (item->has_pointer || item->kind == KIND_POINTER || item->kind == KIND_FUNCTION) b->pointers = true;
    Field *f = (Field *)b->state->field->tp_alloc(b->state->field, 0);
    if (!f) return -1;
    Py_ssize_t before = b->layout.size;
    bool own_storage = place_field(&b->layout, item, bits, f);
    f->index = (b->base ? b->base->length : 0) + i;
    f->proto = Py_NewRef(proto);
    if (bits) f->code = item->code;
    else if (item->kind == KIND_ARRAY && item->code && (item->code->code == 'c' || item->code->code == 'u'))
        f->code = code_find(item->code->code == 'c' ? 's' : 'U', false);
    int status = PyType_Type.tp_setattro(b->type, name, (PyObject *)f);
    Py_ssize_t padding = f->offset - before;
    Py_DECREF(f);
    if (status < 0) return -1;
    if (own_storage) b->member = add_members(b->state, item, b->member);
    const char *label = PyUnicode_AsUTF8(name);
    if (!label || b->layout.is_union) return label ? 0 : -1;
    return text_pad(&b->format, padding) < 0 ? -1 : text_field(&b->format, item, label);
}

/* Hands what was built to the class's Info. */
static int finish_building(Building *b)
{
    Info *info = b->info;
    const Layout *l = &b->layout;
    Py_ssize_t total = l->align > 1 ? (l->size + l->align - 1) / l->align * l->align : l->size;
    if (info->final) {                        /* a field of this very type was made meanwhile */
        PyErr_SetString(PyExc_AttributeError, "Structure or union cannot contain itself");
        return -1;
    }
    if (l->is_union ? text_add(&b->format, "B") < 0 : text_pad(&b->format, total - l->size) < 0 || text_add(&b->format, "}") < 0) return -1;
    PyMem_Free(info->elements);
    PyMem_Free(info->format);
    info->elements = info->own_ffi.elements = b->elements;
    info->format = b->format.bytes;
    info->own_ffi.type = FFI_TYPE_STRUCT;
    info->own_ffi.size = (size_t)total;
    info->own_ffi.alignment = (unsigned short)l->align;
    info->size = total;
    info->align = l->align;
    info->length = (b->base ? b->base->length : 0) + PyTuple_GET_SIZE(b->fields);
    info->has_pointer = b->pointers;
    info->final = true;
    return 0;
}

static int build(Building *b)
{
    if (start_elements(b) < 0 || start_format(b) < 0) return -1;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(b->fields); i++) if (add_field(b, i) < 0) return -1;
    return finish_building(b);
}

int aggregate_set_fields(CTypes *state, PyObject *type, PyObject *fields)
{
    Building b = { .state = state, .type = type, .info = info_of_type(state, type),
                   .base = info_of_type(state, (PyObject *)((PyTypeObject *)type)->tp_base) };
    long pack = 0, align = 1;
    if (!b.info) {
        PyErr_SetString(PyExc_TypeError, "ctypes state is not initialized");
        return -1;
    }
    if (b.info->final) {
        PyErr_SetString(PyExc_AttributeError, "_fields_ is final");
        return -1;
    }
    PyObject *swapped;
    int big = PyObject_GetOptionalAttrString(type, "_swappedbytes_", &swapped);
    if (big < 0) return -1;
    Py_XDECREF(swapped);
    if (class_integer(type, "_pack_", &pack, "_pack_ must be a non-negative integer") < 0 ||
        class_integer(type, "_align_", &align, "_align_ must be a non-negative integer") < 0) return -1;
    if (!PySequence_Check(fields) || !(b.fields = fixed_sequence(fields, "_fields_ must be a sequence of pairs"))) {
        PyErr_Clear();
        PyErr_SetString(PyExc_TypeError, "'_fields_' must be a sequence of pairs");
        return -1;
    }
    b.layout = (Layout){ .is_union = b.info->kind == KIND_UNION, .big = big > 0, .pack = pack, .align = align ? align : 1 };
    if (b.base) {
        b.layout.size = b.layout.offset = b.base->size;
        if (b.base->align > b.layout.align) b.layout.align = b.base->align;
        b.pointers = b.base->has_pointer;
    }
    int status = build(&b);
    Py_DECREF(b.fields);
    if (status == 0) return lift_anonymous(state, type);
    PyMem_Free(b.elements);
    PyMem_Free(b.format.bytes);
    return -1;
}

/* ---- instances ---- */

/* Positional arguments go to the fields in order, those of base classes first. Returns how many were used, -1 on error. */
static Py_ssize_t init_positional(CTypes *state, PyObject *self, PyObject *type, PyObject *args, PyObject *kwargs, Py_ssize_t at)
{
    PyObject *base = (PyObject *)((PyTypeObject *)type)->tp_base;
    if (info_of_type(state, base)) {
        at = init_positional(state, self, base, args, kwargs, at);
        if (at < 0) return -1;
    }
    PyObject *dict = PyType_GetDict((PyTypeObject *)type), *fields = NULL;
    int found = dict ? PyDict_GetItemStringRef(dict, "_fields_", &fields) : -1;
    Py_XDECREF(dict);
    if (found <= 0) return found < 0 ? -1 : at;
    Py_ssize_t n = info_of_type(state, type)->length - at;        /* as laid out, whatever _fields_ is now */
    for (Py_ssize_t i = 0; i < n && at < PyTuple_GET_SIZE(args); i++, at++) {
        PyObject *pair = PySequence_GetItem(fields, i), *name = pair ? PySequence_GetItem(pair, 0) : NULL;
        int r = -1;
        if (name) {
            int twice = kwargs ? PyDict_Contains(kwargs, name) : 0;
            if (twice > 0) PyErr_Format(PyExc_TypeError, "duplicate values for field %R", name);
            else if (twice == 0) r = PyObject_SetAttr(self, name, PyTuple_GET_ITEM(args, at));
        }
        Py_XDECREF(pair);
        Py_XDECREF(name);
        if (r < 0) {
            Py_DECREF(fields);
            return -1;
        }
    }
    Py_DECREF(fields);
    return at;
}

static int aggregate_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    CTypes *state = ctypes_state_of_type(Py_TYPE(Py_TYPE(self)));
    if (!state) return -1;
    if (PyTuple_GET_SIZE(args)) {
        Py_ssize_t used = init_positional(state, self, (PyObject *)Py_TYPE(self), args, kwargs, 0);
        if (used < 0) return -1;
        if (used < PyTuple_GET_SIZE(args)) {
            PyErr_SetString(PyExc_TypeError, "too many initializers");
            return -1;
        }
    }
    PyObject *key, *value;
    Py_ssize_t at = 0;
    while (kwargs && PyDict_Next(kwargs, &at, &key, &value)) if (PyObject_SetAttr(self, key, value) < 0) return -1;
    return 0;
}

static PyType_Slot structure_slots[] = {
    { Py_tp_new, cdata_new }, { Py_tp_init, aggregate_init }, { Py_bf_getbuffer, cdata_get_buffer }, { Py_tp_doc, (char *)"Structure base class" }, { 0, NULL }
};
static PyType_Slot union_slots[] = {
    { Py_tp_new, cdata_new }, { Py_tp_init, aggregate_init }, { Py_bf_getbuffer, cdata_get_buffer }, { Py_tp_doc, (char *)"Union base class" }, { 0, NULL }
};

int ctypes_add_aggregates(PyObject *module, CTypes *state)
{
    enum { FLAGS = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_IMMUTABLETYPE };
    PyType_Spec field = { "_ctypes.CField", sizeof(Field), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION, field_slots };
    PyType_Spec structure = { "_ctypes.Structure", sizeof(CData), 0, FLAGS, structure_slots };
    PyType_Spec union_ = { "_ctypes.Union", sizeof(CData), 0, FLAGS, union_slots };
    state->field = (PyTypeObject *)PyType_FromModuleAndSpec(module, &field, NULL);
    state->structure = (PyTypeObject *)PyType_FromMetaclass(state->struct_meta, module, &structure, (PyObject *)state->data);
    state->union_ = (PyTypeObject *)PyType_FromMetaclass(state->union_meta, module, &union_, (PyObject *)state->data);
    return state->field && state->structure && state->union_ && PyModule_AddType(module, state->structure) == 0 ? PyModule_AddType(module, state->union_) : -1;
}
