/* int, the type: slots, methods, constructor. The arithmetic is in int_arith.c and int_power.c, conversions in int_convert.c
 * and int_text.c, vectors of digits in int_digits.c; the layout and the inline paths in long.h. */
#include "objects/int_private.h"

#include "capi/args.h"
#include "objects/format.h"

#include <string.h>

/* ---- slots -------------------------------------------------------------------------------------------------------------------------- */

static void long_dealloc(PyObject *v)
{
    if (UNLIKELY(!PyLong_CheckExact(v))) {
        Py_TYPE(v)->tp_free(v);
        return;
    }
    if (UNLIKELY((uintptr_t)v - (uintptr_t)_PyRuntime.small_ints < sizeof _PyRuntime.small_ints)) {
        v->ob_refcnt = _Py_IMMORTAL_REFCNT;   /* an extension of an older ABI counted it down */
        return;
    }
    if (LIKELY(long_ndigits(LONG(v)) <= LONG_PAGE_DIGITS)) heap_free(v);
    else PyObject_Free(v);
}

static PyObject *long_repr(PyObject *v) { return long_to_text(v, 10, false); }

static Py_hash_t long_hash(PyObject *v)
{
    if (LIKELY(long_is_short(LONG(v)))) {
        int64_t value = long_short_value(LONG(v));
        return value == -1 ? -2 : value;
    }
    uint64_t hash = 0;
    for (size_t i = long_ndigits(LONG(v)); i--;) {          /* a rotation multiplies by 2^30 modulo 2^61 - 1 */
        hash = ((hash << PyLong_SHIFT) & _PyHASH_MODULUS) | hash >> (_PyHASH_BITS - PyLong_SHIFT);
        hash += LONG_DIGITS(v)[i];
        if (hash >= _PyHASH_MODULUS) hash -= _PyHASH_MODULUS;
    }
    if (long_is_negative(LONG(v))) hash = 0 - hash;
    return hash == (uint64_t)-1 ? -2 : (Py_hash_t)hash;
}

static PyObject *long_richcompare(PyObject *a, PyObject *b, int op)
{
    if (UNLIKELY(!PyLong_Check(a) || !PyLong_Check(b))) Py_RETURN_NOTIMPLEMENTED;
    int order = a == b ? 0 : long_compare(LONG(a), LONG(b));
    Py_RETURN_RICHCOMPARE(order, 0, op);
}

static int long_bool(PyObject *v) { return !long_is_zero(LONG(v)); }

static PyObject *long_float(PyObject *v)
{
    double value = PyLong_AsDouble(v);
    return value == -1.0 && PyErr_Occurred() ? NULL : PyFloat_FromDouble(value);
}

#define BINARY_SLOT(slot, function)                                                          \
    static PyObject *slot(PyObject *a, PyObject *b)                                          \
    {                                                                                        \
        if (UNLIKELY(!PyLong_Check(a) || !PyLong_Check(b))) Py_RETURN_NOTIMPLEMENTED;        \
        return function(a, b);                                                               \
    }
BINARY_SLOT(slot_add, long_add)
BINARY_SLOT(slot_sub, long_sub)
BINARY_SLOT(slot_mul, long_mul)
BINARY_SLOT(slot_modulo, long_modulo)
BINARY_SLOT(slot_divmod, long_divmod)
BINARY_SLOT(slot_lshift, long_lshift)
BINARY_SLOT(slot_rshift, long_rshift)
BINARY_SLOT(slot_and, long_and)
BINARY_SLOT(slot_xor, long_xor)
BINARY_SLOT(slot_or, long_or)
BINARY_SLOT(slot_floor_divide, long_floor_divide)
BINARY_SLOT(slot_true_divide, long_true_divide)

static PyNumberMethods long_as_number = {
    .nb_add = slot_add,
    .nb_subtract = slot_sub,
    .nb_multiply = slot_mul,
    .nb_remainder = slot_modulo,
    .nb_divmod = slot_divmod,
    .nb_power = long_pow,
    .nb_negative = long_neg,
    .nb_positive = long_exact,
    .nb_absolute = long_abs,
    .nb_bool = long_bool,
    .nb_invert = long_invert,
    .nb_lshift = slot_lshift,
    .nb_rshift = slot_rshift,
    .nb_and = slot_and,
    .nb_xor = slot_xor,
    .nb_or = slot_or,
    .nb_int = long_exact,
    .nb_float = long_float,
    .nb_floor_divide = slot_floor_divide,
    .nb_true_divide = slot_true_divide,
    .nb_index = long_exact,
};

/* ---- construction ------------------------------------------------------------------------------------------------------------------ */

/* int(x, base) for the exact type; either may be NULL. */
static PyObject *int_from_objects(PyObject *x, PyObject *base_object)
{
    if (!x) {
        if (!base_object) return SMALL_INT(0);
        PyErr_SetString(PyExc_TypeError, "int() missing string argument");
        return NULL;
    }
    if (!base_object) return PyNumber_Long(x);
    Py_ssize_t base = PyNumber_AsSsize_t(base_object, NULL);
    if (base == -1 && PyErr_Occurred()) return NULL;
    if ((base != 0 && base < 2) || base > 36) {
        PyErr_SetString(PyExc_ValueError, "int() base must be >= 2 and <= 36, or 0");
        return NULL;
    }
    if (PyUnicode_Check(x)) return PyLong_FromUnicodeObject(x, (int)base);
    if (PyByteArray_Check(x)) return long_from_bytes(PyByteArray_AS_STRING(x), PyByteArray_GET_SIZE(x), (int)base);
    if (PyBytes_Check(x)) return long_from_bytes(PyBytes_AS_STRING(x), PyBytes_GET_SIZE(x), (int)base);
    PyErr_SetString(PyExc_TypeError, "int() can't convert non-string with explicit base");
    return NULL;
}

static PyObject *to_subtype(PyTypeObject *type, PyObject *value)
{
    assert(PyType_IsSubtype(type, &PyLong_Type));
    size_t n = long_ndigits(LONG(value));
    PyObject *result = type->tp_alloc(type, (Py_ssize_t)(n ? n : 1));
    if (result) {
        LONG_TAG(result) = LONG_TAG(value) & ~(uintptr_t)4;
        memcpy(LONG_DIGITS(result), LONG_DIGITS(value), (n ? n : 1) * sizeof(digit));
    }
    Py_DECREF(value);
    return result;
}

SIGNATURE(int_signature, "int", KEYWORDS, "(x=0, /, base=10)");

static PyObject *long_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *arg[2];
    if (args_bind_tuple(&int_signature, args, kwargs, arg) < 0) return NULL;
    PyObject *value = int_from_objects(arg[0], arg[1]);
    return value && type != &PyLong_Type ? to_subtype(type, value) : value;
}

static PyObject *long_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    PyObject *arg[2] = { nargs > 0 ? args[0] : NULL, nargs > 1 ? args[1] : NULL };
    if (UNLIKELY(kwnames && PyTuple_GET_SIZE(kwnames))) {
        if (args_bind(&int_signature, args, nargs, kwnames, arg) < 0) return NULL;
    }
    else if (UNLIKELY(nargs > 2)) {
        PyErr_Format(PyExc_TypeError, "int expected at most 2 arguments, got %zd", nargs);
        return NULL;
    }
    return int_from_objects(arg[0], arg[1]);
}

/* ---- methods ------------------------------------------------------------------------------------------------------------------------ */

#define SAME_VALUE(name, text) BUILTIN_NOARGS(int, name, "($self, /)", text) { return long_exact(self); }
SAME_VALUE(conjugate, "The number itself: it has no imaginary part.")
SAME_VALUE(__trunc__, "The number itself: it has no fraction.")
SAME_VALUE(__floor__, "The number itself: it has no fraction.")
SAME_VALUE(__ceil__, "The number itself: it has no fraction.")

BUILTIN_NOARGS(int, bit_length, "($self, /)",
    "Number of binary digits without sign and leading zeros.\n\n>>> bin(37)\n'0b100101'\n>>> (37).bit_length()\n6")
{
    return PyLong_FromSize_t(_PyLong_NumBits(self));
}

BUILTIN_NOARGS(int, bit_count, "($self, /)",
    "Number of ones among the binary digits of the absolute value.\n\n>>> bin(13)\n'0b1101'\n>>> (13).bit_count()\n3")
{
    size_t count = 0;
    for (size_t i = long_ndigits(LONG(self)); i--;) count += (size_t)__builtin_popcount(LONG_DIGITS(self)[i]);
    return PyLong_FromSize_t(count);
}

BUILTIN_NOARGS(int, as_integer_ratio, "($self, /)",
    "Pair of integers whose quotient is the number; the second is 1.\n\n>>> (10).as_integer_ratio()\n(10, 1)\n>>> (-10).as_integer_ratio()\n(-10, 1)\n>>> (0).as_integer_ratio()\n(0, 1)")
{
    PyObject *numerator = long_exact(self);
    if (!numerator) return NULL;
    PyObject *pair = PyTuple_Pack(2, numerator, SMALL_INT(1));
    Py_DECREF(numerator);
    return pair;
}

BUILTIN_NOARGS(int, is_integer, "($self, /)", "True, always; for code that takes floats too.")
{
    Py_RETURN_TRUE;
}

BUILTIN_NOARGS(int, __getnewargs__, "($self, /)", "Arguments for __new__ when it is unpickled.")
{
    PyObject *value = long_exact(self);
    return value ? Py_BuildValue("(N)", value) : NULL;
}

BUILTIN_NOARGS(int, __sizeof__, "($self, /)", "Size of the object in bytes.")
{
    size_t n = long_ndigits(LONG(self));
    return PyLong_FromSsize_t(Py_TYPE(self)->tp_basicsize + Py_TYPE(self)->tp_itemsize * (Py_ssize_t)(n ? n : 1));
}

BUILTIN_O(int, __format__, "($self, format_spec, /)", "Text of the number as the specification asks for it.")
{
    if (!PyUnicode_Check(arg)) {
        PyErr_Format(PyExc_TypeError, "__format__() argument must be str, not %.50s", Py_TYPE(arg)->tp_name);
        return NULL;
    }
    return format_int(self, arg);
}

/* self rounded to a multiple of 10 ** -ndigits, half to even; ndigits < 0 */
static PyObject *round_to_power_of_ten(PyObject *self, PyObject *ndigits)
{
    PyObject *exponent = long_neg(ndigits), *unit = NULL, *parts = NULL, *result = NULL;
    if (!exponent) return NULL;
    unit = long_pow(SMALL_INT(10), exponent, Py_None);
    Py_DECREF(exponent);
    if (!unit) return NULL;
    parts = long_divmod_near(self, unit);
    Py_DECREF(unit);
    if (!parts) return NULL;
    result = long_sub(self, PyTuple_GET_ITEM(parts, 1));
    Py_DECREF(parts);
    return result;
}

BUILTIN(int, __round__, POSITIONAL, "($self, ndigits=<unrepresentable>, /)",
    "The number itself, or rounded to tens, hundreds ... when ndigits is negative.")
{
    if (!arg[0] || arg[0] == Py_None) return long_exact(self);
    PyObject *ndigits = PyNumber_Index(arg[0]);
    if (!ndigits) return NULL;
    PyObject *result = long_is_negative(LONG(ndigits)) ? round_to_power_of_ten(self, ndigits) : long_exact(self);
    Py_DECREF(ndigits);
    return result;
}

/* *little from 'little' or 'big'; NULL is 'big'. */
static int parse_byteorder(PyObject *order, const char *function, bool *little)
{
    *little = false;
    if (!order) return 0;
    if (!PyUnicode_Check(order)) {
        PyErr_Format(PyExc_TypeError, "%s() argument 'byteorder' must be str, not %.50s", function,
                     order == Py_None ? "None" : Py_TYPE(order)->tp_name);
        return -1;
    }
    if (PyUnicode_EqualToUTF8(order, "little")) *little = true;
    else if (!PyUnicode_EqualToUTF8(order, "big")) {
        PyErr_SetString(PyExc_ValueError, "byteorder must be either 'little' or 'big'");
        return -1;
    }
    return 0;
}

BUILTIN(int, to_bytes, KEYWORDS, "($self, /, length=1, byteorder='big', *, signed=False)",
    "Bytes that represent the number.\n\n  length\n    Number of bytes; OverflowError when they do not suffice.\n  byteorder\n"
    "    'big': the most significant byte comes first; 'little': it comes last.\n  signed\n"
    "    Whether two's complement is used; OverflowError for a negative number without it.")
{
    bool little;
    int is_signed = 0;
    Py_ssize_t length = 1;
    if (arg[0]) {
        PyObject *index = PyNumber_Index(arg[0]);
        if (!index) return NULL;
        length = PyLong_AsSsize_t(index);
        Py_DECREF(index);
        if (length == -1 && PyErr_Occurred()) return NULL;
    }
    if (arg[1] && !PyUnicode_Check(arg[1])) return parse_byteorder(arg[1], "to_bytes", &little), NULL;
    if (arg[2] && (is_signed = PyObject_IsTrue(arg[2])) < 0) return NULL;
    if (parse_byteorder(arg[1], "to_bytes", &little) < 0) return NULL;
    if (length < 0) {
        PyErr_SetString(PyExc_ValueError, "length argument must be non-negative");
        return NULL;
    }
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, length);
    if (!bytes) return NULL;
    if (length == 1) {                        /* one-byte strings are shared: find the byte first */
        unsigned char byte;
        Py_DECREF(bytes);
        if (long_to_bytes(LONG(self), &byte, 1, little, is_signed, true) < 0) return NULL;
        return PyBytes_FromStringAndSize((char *)&byte, 1);
    }
    if (long_to_bytes(LONG(self), (unsigned char *)PyBytes_AS_STRING(bytes), (size_t)length, little, is_signed, true) < 0)
        Py_CLEAR(bytes);
    return bytes;
}

BUILTIN(int, from_bytes, KEYWORDS, "($type, /, bytes, byteorder='big', *, signed=False)",
    "The number that bytes represent.\n\n  bytes\n    A bytes-like object, or an iterable of integers below 256.\n  byteorder\n"
    "    'big': the most significant byte comes first; 'little': it comes last.\n  signed\n"
    "    Whether the bytes are two's complement.")
{
    bool little;
    int is_signed = 0;
    if (arg[1] && !PyUnicode_Check(arg[1])) return parse_byteorder(arg[1], "from_bytes", &little), NULL;
    if (arg[2] && (is_signed = PyObject_IsTrue(arg[2])) < 0) return NULL;
    if (parse_byteorder(arg[1], "from_bytes", &little) < 0) return NULL;
    PyObject *bytes = PyObject_Bytes(arg[0]);
    if (!bytes) return NULL;
    PyObject *value = _PyLong_FromByteArray((unsigned char *)PyBytes_AS_STRING(bytes), (size_t)Py_SIZE(bytes), little, is_signed);
    Py_DECREF(bytes);
    if (value && self != OBJECT(&PyLong_Type)) Py_SETREF(value, PyObject_CallOneArg(self, value));
    return value;
}

static PyMethodDef long_methods[] = {
    METHOD(int, conjugate),
    METHOD(int, bit_length),
    METHOD(int, bit_count),
    METHOD(int, to_bytes),
    METHOD_CLASS(int, from_bytes),
    METHOD(int, as_integer_ratio),
    METHOD(int, __trunc__),
    METHOD(int, __floor__),
    METHOD(int, __ceil__),
    METHOD(int, __round__),
    METHOD_UNDOCUMENTED(int, __getnewargs__),
    METHOD(int, __format__),
    METHOD(int, __sizeof__),
    METHOD(int, is_integer),
    {0},
};

static PyObject *get_self(PyObject *self, void *Py_UNUSED(closure)) { return long_exact(self); }
static PyObject *get_zero(PyObject *Py_UNUSED(self), void *Py_UNUSED(closure)) { return SMALL_INT(0); }
static PyObject *get_one(PyObject *Py_UNUSED(self), void *Py_UNUSED(closure)) { return SMALL_INT(1); }

static PyGetSetDef long_getset[] = {
    { "real", get_self, NULL, "the real part: the number itself", NULL },
    { "imag", get_zero, NULL, "the imaginary part: 0", NULL },
    { "numerator", get_self, NULL, "the numerator of the number in lowest terms: itself", NULL },
    { "denominator", get_one, NULL, "the denominator of the number in lowest terms: 1", NULL },
    {0},
};

PyDoc_STRVAR(long_doc,
"int([x]) -> integer\n"
"int(x, base=10) -> integer\n"
"\n"
"An integer of any size: 0, the value of a number x, or what a string spells.\n"
"A number is asked through __int__() or __index__(); floats lose their fraction.\n"
"\n"
"A str, bytes or bytearray x holds a literal in the given base, 2 to 36, with\n"
"an optional sign and white space around. In base 0 the literal's own prefix\n"
"says the base.\n"
">>> int('0b100', base=0)\n"
"4");

PyTypeObject PyLong_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "int",
    .tp_basicsize = offsetof(PyLongObject, long_value.ob_digit),
    .tp_itemsize = sizeof(digit),
    .tp_dealloc = long_dealloc,
    .tp_repr = long_repr,
    .tp_as_number = &long_as_number,
    .tp_hash = long_hash,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_LONG_SUBCLASS | _Py_TPFLAGS_MATCH_SELF,
    .tp_doc = long_doc,
    .tp_richcompare = long_richcompare,
    .tp_methods = long_methods,
    .tp_getset = long_getset,
    .tp_new = long_new,
    .tp_free = PyObject_Free,
    .tp_vectorcall = long_vectorcall,
};

/* ---- sys.int_info ---------------------------------------------------------------------------------------------------------------------- */

static PyStructSequence_Field int_info_fields[] = {
    { "bits_per_digit", "size of a digit in bits" },
    { "sizeof_digit", "size in bytes of the C type of a digit" },
    { "default_max_str_digits", "limit on digits when nothing else was asked for" },
    { "str_digits_check_threshold", "texts of fewer digits are never refused" },
    { NULL, NULL },
};

PyObject *PyLong_GetInfo(void)
{
    static const int values[] = { PyLong_SHIFT, sizeof(digit), 4300, 640 };
    NumberState *state = &interp_get()->objects.numbers;
    if (state->int_info) return Py_NewRef(state->int_info);
    PyStructSequence_Desc description = { "sys.int_info", "How int is implemented. Read only.", int_info_fields, 4 };
    PyTypeObject *type = PyStructSequence_NewType(&description);
    if (!type) return NULL;
    type->tp_new = NULL;                      /* as CPython: these are not to be made by hand */
    PyObject *info = PyStructSequence_New(type);
    Py_DECREF(type);
    for (int i = 0; info && i < 4; i++) PyStructSequence_SetItem(info, i, PyLong_FromLong(values[i]));
    state->int_info = info;
    return Py_XNewRef(info);
}
