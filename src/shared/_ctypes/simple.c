/* Simple types: one code letter each, with how a value of it is read and written, and the class _SimpleCData. */
#include "ctypes.h"

/* Sizes given to getters and setters of integers carry a bit-field in their upper half: bits << 16 | shift. */
#define BITS(size) ((unsigned)((size) >> 16))
#define SHIFT(size) ((unsigned)((size) & 0xffff))

static int integer_value(PyObject *value, unsigned long long *out)
{
    PyObject *index = PyLong_Check(value) ? Py_NewRef(value) : PyNumber_Index(value);
    if (!index) return -1;
    *out = PyLong_AsUnsignedLongLongMask(index);
    Py_DECREF(index);
    return *out == (unsigned long long)-1 && PyErr_Occurred() ? -1 : 0;
}

static uint16_t swap16(uint16_t x) { return __builtin_bswap16(x); }
static uint32_t swap32(uint32_t x) { return __builtin_bswap32(x); }
static uint64_t swap64(uint64_t x) { return __builtin_bswap64(x); }
static uint8_t same8(uint8_t x) { return x; }
static uint16_t same16(uint16_t x) { return x; }
static uint32_t same32(uint32_t x) { return x; }
static uint64_t same64(uint64_t x) { return x; }

/* A bit-field in storage wider than its type may reach beyond it: what then comes out is what the shift of the machine makes,
 * as in CPython. */
#define INTEGER(name, width, turn, is_signed)                                                                           \
    static PyObject *name##_get(const char *p, Py_ssize_t size)                                                         \
    {                                                                                                                   \
        uint##width##_t x;                                                                                              \
        memcpy(&x, p, sizeof x);                                                                                        \
        x = turn##width(x);                                                                                             \
        if (BITS(size)) {                                                                                               \
            x = (uint##width##_t)(x << ((width - SHIFT(size) - BITS(size)) & (width == 64 ? 63 : 31)));                \
            if (is_signed) return PyLong_FromLongLong((int##width##_t)x >> (width - BITS(size)));                      \
            return PyLong_FromUnsignedLongLong(x >> (width - BITS(size)));                                              \
        }                                                                                                               \
        return is_signed ? PyLong_FromLongLong((int##width##_t)x) : PyLong_FromUnsignedLongLong(x);                     \
    }                                                                                                                   \
    static PyObject *name##_set(char *p, PyObject *value, Py_ssize_t size)                                              \
    {                                                                                                                   \
        unsigned long long given;                                                                                       \
        if (integer_value(value, &given) < 0) return NULL;                                                              \
        uint##width##_t x = (uint##width##_t)given;                                                                     \
        if (BITS(size)) {                                                                                               \
            uint##width##_t mask = (uint##width##_t)((((uint64_t)1 << (BITS(size) - 1) << 1) - 1) << SHIFT(size)), old; \
            memcpy(&old, p, sizeof old);                                                                                \
            x = (uint##width##_t)((turn##width(old) & (uint##width##_t)~mask) | ((uint##width##_t)(x << SHIFT(size)) & mask)); \
        }                                                                                                               \
        x = turn##width(x);                                                                                             \
        memcpy(p, &x, sizeof x);                                                                                        \
        Py_RETURN_NONE;                                                                                                 \
    }

INTEGER(i8, 8, same, true)
INTEGER(u8, 8, same, false)
INTEGER(i16, 16, same, true)
INTEGER(u16, 16, same, false)
INTEGER(i32, 32, same, true)
INTEGER(u32, 32, same, false)
INTEGER(i64, 64, same, true)
INTEGER(u64, 64, same, false)
INTEGER(i16_swapped, 16, swap, true)
INTEGER(u16_swapped, 16, swap, false)
INTEGER(i32_swapped, 32, swap, true)
INTEGER(u32_swapped, 32, swap, false)
INTEGER(i64_swapped, 64, swap, true)
INTEGER(u64_swapped, 64, swap, false)

#define FLOATING(name, ctype, swap)                                                                                     \
    static PyObject *name##_get(const char *p, Py_ssize_t size)                                                         \
    {                                                                                                                   \
        char bytes[sizeof(ctype)];                                                                                      \
        ctype x;                                                                                                        \
        for (size_t i = 0; i < sizeof x; i++) bytes[i] = p[swap ? sizeof x - 1 - i : i];                                \
        memcpy(&x, bytes, sizeof x);                                                                                    \
        return PyFloat_FromDouble((double)x);                                                                           \
    }                                                                                                                   \
    static PyObject *name##_set(char *p, PyObject *value, Py_ssize_t size)                                              \
    {                                                                                                                   \
        char bytes[sizeof(ctype)];                                                                                      \
        ctype x = (ctype)PyFloat_AsDouble(value);                                                                       \
        if (x == -1 && PyErr_Occurred()) return NULL;                                                                   \
        memcpy(bytes, &x, sizeof x);                                                                                    \
        for (size_t i = 0; i < sizeof x; i++) p[i] = bytes[swap ? sizeof x - 1 - i : i];                                \
        Py_RETURN_NONE;                                                                                                 \
    }

FLOATING(float, float, false)
FLOATING(double, double, false)
FLOATING(float_swapped, float, true)
FLOATING(double_swapped, double, true)
FLOATING(long_double, long double, false)

static PyObject *bool_get(const char *p, Py_ssize_t size) { return PyBool_FromLong(*(const unsigned char *)p != 0); }
static PyObject *bool_set(char *p, PyObject *value, Py_ssize_t size)
{
    int truth = PyObject_IsTrue(value);
    if (truth < 0) return NULL;
    *p = (char)truth;
    Py_RETURN_NONE;
}

static PyObject *char_get(const char *p, Py_ssize_t size) { return PyBytes_FromStringAndSize(p, 1); }
static PyObject *char_set(char *p, PyObject *value, Py_ssize_t size)
{
    if (PyBytes_Check(value) && PyBytes_GET_SIZE(value) == 1) *p = PyBytes_AS_STRING(value)[0];
    else if (PyByteArray_Check(value) && PyByteArray_GET_SIZE(value) == 1) *p = PyByteArray_AS_STRING(value)[0];
    else if (PyLong_Check(value)) {
        int overflow;
        long n = PyLong_AsLongAndOverflow(value, &overflow);
        if (overflow || n < 0 || n > 255) goto fail;
        *p = (char)n;
    }
    else goto fail;
    Py_RETURN_NONE;
fail:
    PyErr_SetString(PyExc_TypeError, "one character bytes, bytearray or integer expected");
    return NULL;
}

static PyObject *wchar_get(const char *p, Py_ssize_t size) { return PyUnicode_FromWideChar((const wchar_t *)p, 1); }
static PyObject *wchar_set(char *p, PyObject *value, Py_ssize_t size)
{
    if (!PyUnicode_Check(value)) return PyErr_Format(PyExc_TypeError, "unicode string expected instead of %s instance", Py_TYPE(value)->tp_name);
    if (PyUnicode_GET_LENGTH(value) != 1) return PyErr_Format(PyExc_TypeError, "one character unicode string expected");
    *(wchar_t *)p = (wchar_t)PyUnicode_READ_CHAR(value, 0);
    Py_RETURN_NONE;
}

static PyObject *text_get(const char *p, Py_ssize_t size)
{
    const char *text = *(char *const *)p;
    return text ? PyBytes_FromString(text) : Py_NewRef(Py_None);
}

static PyObject *text_set(char *p, PyObject *value, Py_ssize_t size)
{
    if (value == Py_None) *(void **)p = NULL;
    else if (PyBytes_Check(value)) {
        *(const char **)p = PyBytes_AsString(value);
        return Py_NewRef(value);
    }
    else if (PyLong_Check(value)) *(void **)p = (void *)(uintptr_t)PyLong_AsUnsignedLongMask(value);
    else return PyErr_Format(PyExc_TypeError, "bytes or integer address expected instead of %s instance", Py_TYPE(value)->tp_name);
    Py_RETURN_NONE;
}

static void free_wide(PyObject *capsule) { PyMem_Free(PyCapsule_GetPointer(capsule, "_ctypes wide string")); }

static PyObject *wide_get(const char *p, Py_ssize_t size)
{
    const wchar_t *text = *(wchar_t *const *)p;
    return text ? PyUnicode_FromWideChar(text, -1) : Py_NewRef(Py_None);
}

static PyObject *wide_set(char *p, PyObject *value, Py_ssize_t size)
{
    if (value == Py_None) *(void **)p = NULL;
    else if (PyLong_Check(value)) *(void **)p = (void *)(uintptr_t)PyLong_AsUnsignedLongMask(value);
    else if (PyUnicode_Check(value)) {
        Py_ssize_t n;                         /* null characters may be inside */
        wchar_t *text = PyUnicode_AsWideCharString(value, &n);
        if (!text) return NULL;
        PyObject *keep = PyCapsule_New(text, "_ctypes wide string", free_wide);
        if (!keep) PyMem_Free(text);
        else *(wchar_t **)p = text;
        return keep;
    }
    else return PyErr_Format(PyExc_TypeError, "unicode string or integer address expected instead of %s instance", Py_TYPE(value)->tp_name);
    Py_RETURN_NONE;
}

static PyObject *address_get(const char *p, Py_ssize_t size)
{
    void *address = *(void *const *)p;
    return address ? PyLong_FromVoidPtr(address) : Py_NewRef(Py_None);
}

static PyObject *address_set(char *p, PyObject *value, Py_ssize_t size)
{
    if (value == Py_None) *(void **)p = NULL;
    else if (PyLong_Check(value)) *(void **)p = (void *)(uintptr_t)PyLong_AsUnsignedLongMask(value);
    else return PyErr_Format(PyExc_TypeError, "cannot be converted to pointer");
    Py_RETURN_NONE;
}

static PyObject *object_get(const char *p, Py_ssize_t size)
{
    PyObject *o = *(PyObject *const *)p;
    if (!o && !PyErr_Occurred()) PyErr_SetString(PyExc_ValueError, "PyObject is NULL");
    return Py_XNewRef(o);
}

static PyObject *object_set(char *p, PyObject *value, Py_ssize_t size)
{
    *(PyObject **)p = value;
    return Py_NewRef(value);
}

static PyObject *variant_bool_get(const char *p, Py_ssize_t size) { return PyBool_FromLong(*(const int16_t *)p != 0); }
static PyObject *variant_bool_set(char *p, PyObject *value, Py_ssize_t size)
{
    int truth = PyObject_IsTrue(value);
    if (truth < 0) return NULL;
    *(int16_t *)p = truth ? -1 : 0;
    Py_RETURN_NONE;
}

/* Arrays of characters as fields: size is theirs in bytes. */
static PyObject *chars_get(const char *p, Py_ssize_t size) { return PyBytes_FromStringAndSize(p, (Py_ssize_t)strnlen(p, (size_t)size)); }
static PyObject *chars_set(char *p, PyObject *value, Py_ssize_t size)
{
    if (!PyBytes_Check(value)) return PyErr_Format(PyExc_TypeError, "expected bytes, %s found", Py_TYPE(value)->tp_name);
    const char *text = PyBytes_AS_STRING(value);
    Py_ssize_t n = (Py_ssize_t)strlen(text);
    if (n < size) n++;
    else if (n > size) return PyErr_Format(PyExc_ValueError, "bytes too long (%zd, maximum length %zd)", n, size);
    memcpy(p, text, (size_t)n);
    Py_RETURN_NONE;
}

static PyObject *wides_get(const char *p, Py_ssize_t size)
{
    return PyUnicode_FromWideChar((const wchar_t *)p, (Py_ssize_t)wcsnlen((const wchar_t *)p, (size_t)size / sizeof(wchar_t)));
}

static PyObject *wides_set(char *p, PyObject *value, Py_ssize_t size)
{
    Py_ssize_t room = size / (Py_ssize_t)sizeof(wchar_t);
    if (!PyUnicode_Check(value)) return PyErr_Format(PyExc_TypeError, "unicode string expected instead of %s instance", Py_TYPE(value)->tp_name);
    Py_ssize_t n = PyUnicode_GET_LENGTH(value);
    if (n > room) return PyErr_Format(PyExc_ValueError, "string too long (%zd, maximum length %zd)", n, room);
    if (PyUnicode_AsWideChar(value, (wchar_t *)p, n < room ? n + 1 : room) < 0) return NULL;
    return Py_NewRef(value);
}

static const Code codes[] = {
    { 'c', 1, &ffi_type_schar, char_get, char_set }, { 'b', 1, &ffi_type_schar, i8_get, i8_set }, { 'B', 1, &ffi_type_uchar, u8_get, u8_set },
    { 'h', 2, &ffi_type_sshort, i16_get, i16_set }, { 'H', 2, &ffi_type_ushort, u16_get, u16_set }, { 'i', 4, &ffi_type_sint, i32_get, i32_set },
    { 'I', 4, &ffi_type_uint, u32_get, u32_set }, { 'l', 8, &ffi_type_slong, i64_get, i64_set }, { 'L', 8, &ffi_type_ulong, u64_get, u64_set },
    { 'q', 8, &ffi_type_sint64, i64_get, i64_set }, { 'Q', 8, &ffi_type_uint64, u64_get, u64_set }, { 'f', 4, &ffi_type_float, float_get, float_set },
    { 'd', 8, &ffi_type_double, double_get, double_set }, { 'g', sizeof(long double), &ffi_type_longdouble, long_double_get, long_double_set },
    { '?', 1, &ffi_type_uchar, bool_get, bool_set }, { 'u', sizeof(wchar_t), &ffi_type_sint, wchar_get, wchar_set },
    { 'z', sizeof(void *), &ffi_type_pointer, text_get, text_set }, { 'Z', sizeof(void *), &ffi_type_pointer, wide_get, wide_set },
    { 'P', sizeof(void *), &ffi_type_pointer, address_get, address_set }, { 'O', sizeof(void *), &ffi_type_pointer, object_get, object_set },
    { 'v', 2, &ffi_type_sshort, variant_bool_get, variant_bool_set },
    { 's', 0, NULL, chars_get, chars_set }, { 'U', 0, NULL, wides_get, wides_set }, { 0 }
};
static const Code swapped_codes[] = {
    { 'h', 2, &ffi_type_sshort, i16_swapped_get, i16_swapped_set }, { 'H', 2, &ffi_type_ushort, u16_swapped_get, u16_swapped_set },
    { 'i', 4, &ffi_type_sint, i32_swapped_get, i32_swapped_set }, { 'I', 4, &ffi_type_uint, u32_swapped_get, u32_swapped_set },
    { 'l', 8, &ffi_type_slong, i64_swapped_get, i64_swapped_set }, { 'L', 8, &ffi_type_ulong, u64_swapped_get, u64_swapped_set },
    { 'q', 8, &ffi_type_sint64, i64_swapped_get, i64_swapped_set }, { 'Q', 8, &ffi_type_uint64, u64_swapped_get, u64_swapped_set },
    { 'f', 4, &ffi_type_float, float_swapped_get, float_swapped_set }, { 'd', 8, &ffi_type_double, double_swapped_get, double_swapped_set }, { 0 }
};

const Code *code_find(char letter, bool swapped)
{
    for (const Code *c = swapped ? swapped_codes : codes; c->code; c++) if (c->code == letter) return c;
    return NULL;
}

static const char code_text[] = "cbBhHiIlLdfuzZqQPXOv?g";

static int simple_start(CTypes *state, PyObject *type, PyObject *text, const Code *code, bool swapped)
{
    Info *info = info_start(type, KIND_SIMPLE);
    if (!info) return -1;
    info->proto = Py_NewRef(text);
    info->code = code;
    info->swapped = swapped;
    info->size = info->align = code->size;
    info->ffi = code->ffi;
    info->has_pointer = strchr("zZPO", code->code) != NULL;
    char letter[2] = { code->code == 'l' ? 'q' : code->code == 'L' ? 'Q' : code->code, 0 };   /* PEP 3118's standard sizes */
    info->format = format_copy(swapped ? ">" : "<", letter);
    return info->format ? 0 : -1;
}

/* Pointer-like types take parameters in their own ways, through methods of the class. */
PyObject *simple_meta_init_type(CTypes *state, PyObject *type)
{
    PyObject *text;
    if (PyObject_GetOptionalAttrString(type, "_type_", &text) < 0) return NULL;
    if (!text) return PyErr_Format(PyExc_AttributeError, "class must define a '_type_' attribute");
    const char *letters = NULL;
    Py_ssize_t n = 0;
    const Code *code = NULL;
    if (!PyUnicode_Check(text)) PyErr_SetString(PyExc_TypeError, "class must define a '_type_' string attribute");
    else if (!(letters = PyUnicode_AsUTF8AndSize(text, &n))) goto fail;
    else if (n != 1)
        PyErr_SetString(PyExc_ValueError, "class must define a '_type_' attribute which must be a string of length 1");
    else if (!strchr(code_text, letters[0]) || !(code = code_find(letters[0], false)))
        PyErr_Format(PyExc_AttributeError, "class must define a '_type_' attribute which must be\na single character string containing one of '%s'.", code_text);
    if (!code || simple_start(state, type, text, code, false) < 0) goto fail;
    const Code *swapped = code_find(letters[0], true);
    /* The class with the other byte order, its sibling. */
    if (swapped && Py_IS_TYPE(type, state->simple_meta)) {
        PyObject *bases = ((PyTypeObject *)type)->tp_bases;
        PyObject *args = Py_BuildValue("(NO{s:O})", PyUnicode_FromFormat("%s", ((PyTypeObject *)type)->tp_name), bases, "_type_", text);
        PyObject *other = args ? PyType_Type.tp_new(Py_TYPE(type), args, NULL) : NULL;
        Py_XDECREF(args);
        if (!other) goto fail;
        int r = simple_start(state, other, text, swapped, true) < 0 || PyObject_SetAttrString(type, "__ctype_le__", type) < 0 ||
                PyObject_SetAttrString(type, "__ctype_be__", other) < 0 || PyObject_SetAttrString(other, "__ctype_be__", other) < 0 ||
                PyObject_SetAttrString(other, "__ctype_le__", type) < 0;
        Py_DECREF(other);
        if (r) goto fail;
    }
    Py_DECREF(text);
    Py_RETURN_NONE;
fail:
    Py_XDECREF(text);
    return NULL;
}

bool is_simple_instance(CTypes *state, PyObject *type)
{
    return PyObject_TypeCheck(type, state->simple_meta) && ((PyTypeObject *)type)->tp_base == state->simple;
}

/* ---- from_param() ---- */

static PyObject *argument_with(CTypes *state, char code, PyObject *value)
{
    const Code *c = code_find(code, false);
    Argument *a = argument_new(state);
    if (!a) return NULL;
    a->tag = code;
    a->ffi = c->ffi;
    a->object = c->set(a->value.bytes, value, 0);
    if (!a->object) Py_CLEAR(a);
    return (PyObject *)a;
}

/* Whether a CData is an array of, or a pointer to, one of the simple types with these codes. */
static bool points_to_code(CTypes *state, PyObject *value, const char *letters)
{
    Info *info = is_cdata(state, value) ? info_of(value) : NULL;
    if (!info || (info->kind != KIND_ARRAY && info->kind != KIND_POINTER) || !info->proto) return false;
    Info *item = info_of_type(state, info->proto);
    return item && item->kind == KIND_SIMPLE && strchr(letters, item->code->code);
}

/* 1 with *result for what a pointer-like simple type takes beside its instances; 0; -1. */
static int pointer_like_param(CTypes *state, PyObject *type, char code, PyObject *value, PyObject **result)
{
    *result = NULL;
    if (value == Py_None) {
        *result = Py_NewRef(Py_None);
        return 1;
    }
    if (code == 'z' || code == 'Z') {
        if (code == 'z' ? PyBytes_Check(value) : PyUnicode_Check(value)) return (*result = argument_with(state, code, value)) ? 1 : -1;
        char letters[2] = { code == 'z' ? 'c' : 'u', 0 };
        if (points_to_code(state, value, letters)) {
            *result = Py_NewRef(value);
            return 1;
        }
        if (Py_IS_TYPE(value, state->argument) && ARGUMENT(value)->object && is_cdata(state, ARGUMENT(value)->object)) {
            Info *to = info_of(ARGUMENT(value)->object);
            if (to && to->kind == KIND_SIMPLE && to->code->code == letters[0]) {
                *result = Py_NewRef(value);
                return 1;
            }
        }
        return 0;
    }
    if (PyLong_Check(value)) return (*result = argument_with(state, 'P', value)) ? 1 : -1;
    if (PyBytes_Check(value)) return (*result = argument_with(state, 'z', value)) ? 1 : -1;
    if (PyUnicode_Check(value)) return (*result = argument_with(state, 'Z', value)) ? 1 : -1;
    Info *info = is_cdata(state, value) ? info_of(value) : NULL;
    if (info && (info->kind == KIND_ARRAY || info->kind == KIND_POINTER)) *result = Py_NewRef(value);
    else if (info && (info->kind == KIND_FUNCTION || (info->kind == KIND_SIMPLE && (info->code->code == 'z' || info->code->code == 'Z')))) {
        Argument *a = argument_new(state);
        if (!a) return -1;
        a->tag = info->kind == KIND_FUNCTION ? 'P' : 'Z';
        a->ffi = &ffi_type_pointer;
        a->value.p = *(void **)CDATA(value)->ptr;
        a->object = Py_NewRef(value);
        *result = (PyObject *)a;
    }
    else if (Py_IS_TYPE(value, state->argument) && ARGUMENT(value)->tag == 'P') *result = Py_NewRef(value);
    return *result != NULL;
}

PyObject *simple_from_param(CTypes *state, PyObject *type, PyObject *value)
{
    Info *info = info_of_type(state, type);
    char code = info->code->code;
    PyObject *result;
    int is = PyObject_IsInstance(value, type);
    if (is) return is < 0 ? NULL : Py_NewRef(value);
    bool pointer_like = (code == 'z' || code == 'Z' || code == 'P') && is_simple_instance(state, type);
    PyObject *error = NULL;
    if (pointer_like) {
        int r = pointer_like_param(state, type, code, value, &result);
        if (r) return r < 0 ? NULL : result;
    }
    else {
        Argument *a = argument_new(state);
        if (!a) return NULL;
        a->tag = code;
        a->ffi = info->ffi;
        if ((a->object = info->code->set(a->value.bytes, value, 0))) return (PyObject *)a;
        Py_DECREF(a);
        error = PyErr_GetRaisedException();
    }
    PyObject *as;
    if (PyObject_GetOptionalAttrString(value, "_as_parameter_", &as) < 0) {
        Py_XDECREF(error);
        return NULL;
    }
    if (as) {
        Py_XDECREF(error);
        result = NULL;
        if (Py_EnterRecursiveCall(" while processing _as_parameter_") == 0) {
            result = PyObject_CallMethod(type, "from_param", "(O)", as);
            Py_LeaveRecursiveCall();
        }
        Py_DECREF(as);
        return result;
    }
    if (error) {
        PyErr_SetRaisedException(error);
        return NULL;
    }
    return PyErr_Format(PyExc_TypeError, "'%.200s' object cannot be interpreted as ctypes.%s", Py_TYPE(value)->tp_name,
                        code == 'z' ? "c_char_p" : code == 'Z' ? "c_wchar_p" : "c_void_p");
}

/* ---- _SimpleCData ---- */

static PyObject *simple_get_value(PyObject *self, void *closure)
{
    Info *info = info_of(self);
    return info ? info->code->get(CDATA(self)->ptr, 0) : NULL;
}

static int simple_set_value(PyObject *self, PyObject *value, void *closure)
{
    Info *info = info_of(self);
    if (!value) {
        PyErr_SetString(PyExc_TypeError, "can't delete attribute");
        return -1;
    }
    PyObject *kept = info ? info->code->set(CDATA(self)->ptr, value, 0) : NULL;
    return kept ? cdata_keep(CDATA(self), 0, kept) : -1;
}

static int simple_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    PyObject *value = NULL;
    if (!PyArg_UnpackTuple(args, "__init__", 0, 1, &value)) return -1;
    return value ? simple_set_value(self, value, NULL) : 0;
}

BUILTIN_NOARGS(simple, __ctypes_from_outparam__, "($self, /)", "The value an output parameter gives.")
{
    CTypes *state = ctypes_state_of_type(Py_TYPE(Py_TYPE(self)));
    if (!state) return NULL;
    return is_simple_instance(state, (PyObject *)Py_TYPE(self)) ? simple_get_value(self, NULL) : Py_NewRef(self);
}

static int simple_bool(PyObject *self)
{
    for (Py_ssize_t i = 0; i < CDATA(self)->size; i++) if (CDATA(self)->ptr[i]) return 1;
    return 0;
}

static PyObject *simple_repr(PyObject *self)
{
    CTypes *state = ctypes_state_of_type(Py_TYPE(Py_TYPE(self)));
    if (!state) return NULL;
    if (Py_TYPE(self)->tp_base != state->simple) return PyUnicode_FromFormat("<%s object at %p>", Py_TYPE(self)->tp_name, self);
    PyObject *value = simple_get_value(self, NULL);
    if (!value) {
        if (!PyErr_ExceptionMatches(PyExc_ValueError)) return NULL;
        PyErr_Clear();                        /* a py_object without an object */
        return PyUnicode_FromFormat("%s(<NULL>)", Py_TYPE(self)->tp_name);
    }
    PyObject *text = PyUnicode_FromFormat("%s(%R)", Py_TYPE(self)->tp_name, value);
    Py_DECREF(value);
    return text;
}

static PyMethodDef simple_methods[] = { METHOD(simple, __ctypes_from_outparam__), { 0 } };
static PyGetSetDef simple_getset[] = { { "value", simple_get_value, simple_set_value, "current value", NULL }, { 0 } };
static PyType_Slot simple_slots[] = {
    { Py_tp_new, cdata_new }, { Py_tp_init, simple_init }, { Py_tp_repr, simple_repr }, { Py_nb_bool, simple_bool }, { Py_tp_methods, simple_methods },
    { Py_tp_getset, simple_getset }, { Py_bf_getbuffer, cdata_get_buffer }, { Py_tp_doc, (char *)"base of simple types" }, { 0, NULL }
};

int ctypes_add_simple(PyObject *module, CTypes *state)
{
    PyType_Spec spec = { "_ctypes._SimpleCData", sizeof(CData), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_IMMUTABLETYPE, simple_slots };
    state->simple = (PyTypeObject *)PyType_FromMetaclass(state->simple_meta, module, &spec, (PyObject *)state->data);
    return state->simple ? PyModule_AddType(module, state->simple) : -1;
}
