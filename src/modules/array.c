/* array: sequences of numbers of one C type.
 *
 * The items lie in one block that grows by a sixteenth. While others hold buffers of it (exports > 0) its size must not
 * change. What a type code means is one row of a table: size, how an item is read and written, and its machine format,
 * the code by which pickles say what the bytes are. */
#include "capi/args.h"

#include <string.h>
#include <structmember.h>

struct Array;
typedef PyObject *Getter(const char *p);
typedef int Setter(char *p, PyObject *v);     /* p NULL: check only */

typedef struct ItemType {
    char code;
    uint8_t size;
    const char *format;                       /* for buffers */
    Getter *get;
    Setter *set;
    bool integer, is_signed;
} ItemType;

typedef struct Array {
    PyObject_VAR_HEAD
    char *items;
    Py_ssize_t allocated;
    const ItemType *type;
    PyObject *weakreflist;
    Py_ssize_t exports;
} Array;

typedef struct ArrayState {
    PyTypeObject *array_type, *iterator_type;
    PyObject *reconstructor, *dict_name, *read_name, *write_name, *iter;
} ArrayState;

typedef struct ArrayIterator {
    PyObject_HEAD
    Py_ssize_t index;
    Array *array;                             /* NULL when exhausted */
} ArrayIterator;

#define ARRAY(o) ((Array *)(o))

static PyModuleDef array_module;

static ArrayState *state_of_module(PyObject *module) { return PyModule_GetState(module); }
static ArrayState *state_of(PyTypeObject *type)
{
    PyObject *module = PyType_GetModuleByDef(type, &array_module);
    assert(module);
    return PyModule_GetState(module);
}

static bool is_array(PyObject *o, ArrayState *state) { return PyObject_TypeCheck(o, state->array_type); }

/* ---- items ---------------------------------------------------------------------------------------------------------------------------------- */

#define LOAD(type, p) ({ type loaded; memcpy(&loaded, p, sizeof loaded); loaded; })
#define STORE(type, p, value) do { type stored = (type)(value); if (p) memcpy(p, &stored, sizeof stored); } while (0)

static COLD int range_error(const char *text)
{
    PyErr_SetString(PyExc_OverflowError, text);
    return -1;
}

static PyObject *get_b(const char *p) { return PyLong_FromLong(LOAD(signed char, p)); }
static PyObject *get_B(const char *p) { return PyLong_FromLong(LOAD(unsigned char, p)); }
static PyObject *get_h(const char *p) { return PyLong_FromLong(LOAD(short, p)); }
static PyObject *get_H(const char *p) { return PyLong_FromLong(LOAD(unsigned short, p)); }
static PyObject *get_i(const char *p) { return PyLong_FromLong(LOAD(int, p)); }
static PyObject *get_I(const char *p) { return PyLong_FromUnsignedLong(LOAD(unsigned int, p)); }
static PyObject *get_l(const char *p) { return PyLong_FromLong(LOAD(long, p)); }
static PyObject *get_L(const char *p) { return PyLong_FromUnsignedLong(LOAD(unsigned long, p)); }
static PyObject *get_q(const char *p) { return PyLong_FromLongLong(LOAD(long long, p)); }
static PyObject *get_Q(const char *p) { return PyLong_FromUnsignedLongLong(LOAD(unsigned long long, p)); }
static PyObject *get_f(const char *p) { return PyFloat_FromDouble(LOAD(float, p)); }
static PyObject *get_d(const char *p) { return PyFloat_FromDouble(LOAD(double, p)); }
static PyObject *characters(const char *p, Py_ssize_t n)
{
    for (Py_ssize_t i = 0; i < n; i++) {
        Py_UCS4 c = LOAD(Py_UCS4, p + 4 * i);
        if (c > 0x10ffff) {
            PyErr_Format(PyExc_ValueError, "character U+%x is not in range [U+0000; U+10ffff]", c);
            return NULL;
        }
    }
    return PyUnicode_FromKindAndData(PyUnicode_4BYTE_KIND, p, n);
}

static PyObject *get_w(const char *p) { return PyUnicode_FromOrdinal(LOAD(int, p)); }

/* A C long, by __index__ where needed; within [low, high] or a wording of OverflowError. */
static int get_long(PyObject *v, long low, long high, const char *below, const char *above, long *value)
{
    *value = PyLong_AsLong(v);
    if (*value == -1 && PyErr_Occurred()) return -1;
    if (*value < low) return range_error(below);
    return *value > high ? range_error(above) : 0;
}

static int set_b(char *p, PyObject *v)
{
    long x;
    if (get_long(v, -32768, 32767, "signed short integer is less than minimum", "signed short integer is greater than maximum", &x) < 0) return -1;
    if (x < -128) return range_error("signed char is less than minimum");
    if (x > 127) return range_error("signed char is greater than maximum");
    STORE(signed char, p, x);
    return 0;
}

static int set_B(char *p, PyObject *v)
{
    long x;
    if (get_long(v, 0, 255, "unsigned byte integer is less than minimum", "unsigned byte integer is greater than maximum", &x) < 0) return -1;
    STORE(unsigned char, p, x);
    return 0;
}

static int set_h(char *p, PyObject *v)
{
    long x;
    if (get_long(v, -32768, 32767, "signed short integer is less than minimum", "signed short integer is greater than maximum", &x) < 0) return -1;
    STORE(short, p, x);
    return 0;
}

static int get_int(PyObject *v, long *x)
{
    return get_long(v, INT_MIN, INT_MAX, "signed integer is less than minimum", "signed integer is greater than maximum", x);
}

static int set_H(char *p, PyObject *v)
{
    long x;
    if (get_int(v, &x) < 0) return -1;
    if (x < 0) return range_error("unsigned short is less than minimum");
    if (x > 65535) return range_error("unsigned short is greater than maximum");
    STORE(unsigned short, p, x);
    return 0;
}

static int set_i(char *p, PyObject *v)
{
    long x;
    if (get_int(v, &x) < 0) return -1;
    STORE(int, p, x);
    return 0;
}

static int get_unsigned(PyObject *v, unsigned long *x)
{
    PyObject *index = PyNumber_Index(v);
    if (!index) return -1;
    *x = PyLong_AsUnsignedLong(index);
    Py_DECREF(index);
    return *x == (unsigned long)-1 && PyErr_Occurred() ? -1 : 0;
}

static int set_I(char *p, PyObject *v)
{
    unsigned long x;
    if (get_unsigned(v, &x) < 0) return -1;
    if (x > UINT_MAX) return range_error("unsigned int is greater than maximum");
    STORE(unsigned int, p, x);
    return 0;
}

static int set_l(char *p, PyObject *v)
{
    long x = PyLong_AsLong(v);
    if (x == -1 && PyErr_Occurred()) return -1;
    STORE(long, p, x);
    return 0;
}

static int set_L(char *p, PyObject *v)
{
    unsigned long x;
    if (get_unsigned(v, &x) < 0) return -1;
    STORE(unsigned long, p, x);
    return 0;
}

static int set_q(char *p, PyObject *v)
{
    long long x = PyLong_AsLongLong(v);
    if (x == -1 && PyErr_Occurred()) return -1;
    STORE(long long, p, x);
    return 0;
}

static int set_Q(char *p, PyObject *v)
{
    PyObject *index = PyNumber_Index(v);
    if (!index) return -1;
    unsigned long long x = PyLong_AsUnsignedLongLong(index);
    Py_DECREF(index);
    if (x == (unsigned long long)-1 && PyErr_Occurred()) return -1;
    STORE(unsigned long long, p, x);
    return 0;
}

static int set_f(char *p, PyObject *v)
{
    double x = PyFloat_AsDouble(v);
    if (x == -1.0 && PyErr_Occurred()) return -1;
    STORE(float, p, x);
    return 0;
}

static int set_d(char *p, PyObject *v)
{
    double x = PyFloat_AsDouble(v);
    if (x == -1.0 && PyErr_Occurred()) return -1;
    STORE(double, p, x);
    return 0;
}

static int set_character(char *p, PyObject *v)
{
    if (!PyUnicode_Check(v) || PyUnicode_GET_LENGTH(v) != 1) {
        PyErr_SetString(PyExc_TypeError, "array item must be unicode character");
        return -1;
    }
    STORE(Py_UCS4, p, PyUnicode_READ_CHAR(v, 0));
    return 0;
}

static int set_u(char *p, PyObject *v) { return set_character(p, v); }
static int set_w(char *p, PyObject *v) { return set_character(p, v); }

_Static_assert(sizeof(wchar_t) == 4, "'u' and 'w' have the same items");

static const ItemType item_types[] = {
    { 'b', sizeof(char), "b", get_b, set_b, true, true },
    { 'B', sizeof(char), "B", get_B, set_B, true, false },
    { 'u', sizeof(wchar_t), "w", get_w, set_u, false, false },
    { 'w', sizeof(Py_UCS4), "w", get_w, set_w, false, false },
    { 'h', sizeof(short), "h", get_h, set_h, true, true },
    { 'H', sizeof(short), "H", get_H, set_H, true, false },
    { 'i', sizeof(int), "i", get_i, set_i, true, true },
    { 'I', sizeof(int), "I", get_I, set_I, true, false },
    { 'l', sizeof(long), "l", get_l, set_l, true, true },
    { 'L', sizeof(long), "L", get_L, set_L, true, false },
    { 'q', sizeof(long long), "q", get_q, set_q, true, true },
    { 'Q', sizeof(long long), "Q", get_Q, set_Q, true, false },
    { 'f', sizeof(float), "f", get_f, set_f, false, false },
    { 'd', sizeof(double), "d", get_d, set_d, false, false },
};
static const char type_codes[] = "bBuwhHiIlLqQfd";

static const ItemType *find_type(int code)
{
    for (size_t i = 0; i < ARRAY_LENGTH(item_types); i++) {
        if (item_types[i].code == code) return &item_types[i];
    }
    return NULL;
}

static bool is_text(const ItemType *type) { return type->code == 'u' || type->code == 'w'; }
static char *item_at(Array *a, Py_ssize_t i) { return a->items + i * a->type->size; }
static PyObject *get_item(Array *a, Py_ssize_t i) { return a->type->get(item_at(a, i)); }

/* ---- memory ------------------------------------------------------------------------------------------------------------------------------------ */

static int resize(Array *a, Py_ssize_t size)
{
    if (a->exports > 0 && size != Py_SIZE(a)) {
        PyErr_SetString(PyExc_BufferError, "cannot resize an array that is exporting buffers");
        return -1;
    }
    if (a->allocated >= size && Py_SIZE(a) < size + 16 && a->items) {
        Py_SET_SIZE(a, size);
        return 0;
    }
    if (size == 0) {
        PyMem_Free(a->items);
        a->items = NULL;
        Py_SET_SIZE(a, 0);
        a->allocated = 0;
        return 0;
    }
    if (size > PY_SSIZE_T_MAX / 2 / a->type->size) {
        PyErr_NoMemory();
        return -1;
    }
    Py_ssize_t room = (size >> 4) + (Py_SIZE(a) < 8 ? 3 : 7) + size;
    char *items = PyMem_Realloc(a->items, (size_t)room * a->type->size);
    if (!items) {
        PyErr_NoMemory();
        return -1;
    }
    a->items = items;
    Py_SET_SIZE(a, size);
    a->allocated = room;
    return 0;
}

static Array *new_array(PyTypeObject *type, Py_ssize_t size, const ItemType *item_type)
{
    if (size < 0) {
        PyErr_BadInternalCall();
        return NULL;
    }
    if (size > PY_SSIZE_T_MAX / item_type->size) return (Array *)PyErr_NoMemory();
    Array *a = ARRAY(type->tp_alloc(type, 0));
    if (!a) return NULL;
    a->type = item_type;
    a->allocated = size;
    a->weakreflist = NULL;
    a->exports = 0;
    a->items = NULL;
    Py_SET_SIZE(a, 0);
    if (size && !(a->items = PyMem_Malloc((size_t)size * item_type->size))) {
        Py_DECREF(a);
        return (Array *)PyErr_NoMemory();
    }
    Py_SET_SIZE(a, size);
    return a;
}

static int array_traverse(PyObject *o, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(o));
    return 0;
}

static void array_dealloc(PyObject *o)
{
    PyTypeObject *type = Py_TYPE(o);
    PyObject_GC_UnTrack(o);
    if (ARRAY(o)->exports > 0) {
        PyErr_SetString(PyExc_SystemError, "deallocated array object has exported buffers");
        PyErr_Print();
    }
    if (ARRAY(o)->weakreflist) PyObject_ClearWeakRefs(o);
    PyMem_Free(ARRAY(o)->items);
    type->tp_free(o);
    Py_DECREF(type);
}

static int insert_at(Array *a, Py_ssize_t where, PyObject *v)
{
    Py_ssize_t n = Py_SIZE(a);
    if (!v) {
        PyErr_BadInternalCall();
        return -1;
    }
    if (a->type->set(NULL, v) < 0) return -1;                /* before anything moves */
    n = Py_SIZE(a);
    if (resize(a, n + 1) < 0) return -1;
    if (where < 0) {
        where += n;
        if (where < 0) where = 0;
    }
    if (where > n) where = n;
    memmove(item_at(a, where + 1), item_at(a, where), (size_t)(n - where) * a->type->size);
    char item[16];                            /* converting again may run code that changes the array */
    if (a->type->set(item, v) < 0) return -1;
    if (where < Py_SIZE(a)) memcpy(item_at(a, where), item, a->type->size);
    return 0;
}

/* ---- comparison ---------------------------------------------------------------------------------------------------------------------------------- */

/* -1, 0, 1 of two arrays of the same integer or character type */
static int compare_integers(const Array *a, const Array *b, Py_ssize_t n)
{
    for (Py_ssize_t i = 0; i < n; i++) {
        const char *p = a->items + i * a->type->size, *q = b->items + i * b->type->size;
        if (memcmp(p, q, a->type->size) == 0) continue;
        if (a->type->is_signed) {
            long long x = 0, y = 0;
            unsigned shift = 64 - 8u * a->type->size;
            memcpy(&x, p, a->type->size);
            memcpy(&y, q, a->type->size);
            return (long long)((uint64_t)x << shift) < (long long)((uint64_t)y << shift) ? -1 : 1;
        }
        unsigned long long x = 0, y = 0;
        memcpy(&x, p, a->type->size);
        memcpy(&y, q, a->type->size);
        return x < y ? -1 : 1;
    }
    return 0;
}

static PyObject *array_richcompare(PyObject *v, PyObject *w, int op)
{
    ArrayState *state = state_of(Py_TYPE(v));
    if (!is_array(v, state) || !is_array(w, state)) Py_RETURN_NOTIMPLEMENTED;
    Array *a = ARRAY(v), *b = ARRAY(w);
    if (Py_SIZE(a) != Py_SIZE(b) && (op == Py_EQ || op == Py_NE)) return PyBool_FromLong(op == Py_NE);
    if (a->type == b->type && a->type->integer) {
        Py_ssize_t n = Py_SIZE(a) < Py_SIZE(b) ? Py_SIZE(a) : Py_SIZE(b);
        int order = compare_integers(a, b, n);
        if (!order) order = (Py_SIZE(a) > Py_SIZE(b)) - (Py_SIZE(a) < Py_SIZE(b));
        Py_RETURN_RICHCOMPARE(order, 0, op);
    }
    PyObject *x = NULL, *y = NULL;
    int equal = 1;
    for (Py_ssize_t i = 0; i < Py_SIZE(a) && i < Py_SIZE(b); i++) {
        Py_XSETREF(x, get_item(a, i));
        if (!x) goto error;
        Py_XSETREF(y, get_item(b, i));
        if (!y || (equal = PyObject_RichCompareBool(x, y, Py_EQ)) < 0) goto error;
        if (equal) continue;
        PyObject *result = op == Py_EQ ? Py_False : op == Py_NE ? Py_True : PyObject_RichCompare(x, y, op);
        Py_DECREF(x);
        Py_DECREF(y);
        return result;
    }
    Py_XDECREF(x);
    Py_XDECREF(y);
    Py_RETURN_RICHCOMPARE(Py_SIZE(a), Py_SIZE(b), op);
error:
    Py_XDECREF(x);
    Py_XDECREF(y);
    return NULL;
}

/* ---- sequence slots ------------------------------------------------------------------------------------------------------------------------------- */

static Py_ssize_t array_length(PyObject *o) { return Py_SIZE(o); }

static PyObject *array_item(PyObject *o, Py_ssize_t i)
{
    if (i < 0 || i >= Py_SIZE(o)) {
        PyErr_SetString(PyExc_IndexError, "array index out of range");
        return NULL;
    }
    return get_item(ARRAY(o), i);
}

static PyObject *copy_range(Array *a, Py_ssize_t low, Py_ssize_t high)
{
    Array *copy = new_array(state_of(Py_TYPE(a))->array_type, high - low, a->type);
    if (copy && high > low) memcpy(copy->items, item_at(a, low), (size_t)(high - low) * a->type->size);
    return OBJECT(copy);
}

static PyObject *array_concat(PyObject *o, PyObject *other)
{
    ArrayState *state = state_of(Py_TYPE(o));
    Array *a = ARRAY(o), *b = ARRAY(other);
    if (!is_array(other, state)) {
        PyErr_Format(PyExc_TypeError, "can only append array (not \"%.200s\") to array", Py_TYPE(other)->tp_name);
        return NULL;
    }
    if (a->type != b->type) {
        PyErr_BadArgument();
        return NULL;
    }
    if (Py_SIZE(a) > PY_SSIZE_T_MAX - Py_SIZE(b)) return PyErr_NoMemory();
    Array *sum = new_array(state->array_type, Py_SIZE(a) + Py_SIZE(b), a->type);
    if (!sum) return NULL;
    if (Py_SIZE(a)) memcpy(sum->items, a->items, (size_t)Py_SIZE(a) * a->type->size);
    if (Py_SIZE(b)) memcpy(item_at(sum, Py_SIZE(a)), b->items, (size_t)Py_SIZE(b) * a->type->size);
    return OBJECT(sum);
}

/* Fills size bytes by doubling what the first unit bytes hold. */
static void fill_repeated(char *p, size_t size, size_t unit)
{
    for (size_t done = unit; done < size;) {
        size_t n = done < size - done ? done : size - done;
        memcpy(p + done, p, n);
        done += n;
    }
}

static PyObject *array_repeat(PyObject *o, Py_ssize_t n)
{
    Array *a = ARRAY(o);
    if (n < 0) n = 0;
    if (n && Py_SIZE(a) > PY_SSIZE_T_MAX / n) return PyErr_NoMemory();
    Array *result = new_array(state_of(Py_TYPE(o))->array_type, Py_SIZE(a) * n, a->type);
    if (!result) return NULL;
    size_t unit = (size_t)Py_SIZE(a) * a->type->size;
    if (unit && n) {
        memcpy(result->items, a->items, unit);
        fill_repeated(result->items, unit * (size_t)n, unit);
    }
    return OBJECT(result);
}

static int delete_range(Array *a, Py_ssize_t low, Py_ssize_t high)
{
    if (low < 0) low = 0;
    if (high > Py_SIZE(a)) high = Py_SIZE(a);
    if (high <= low) return 0;
    if (a->exports > 0) {
        PyErr_SetString(PyExc_BufferError, "cannot resize an array that is exporting buffers");
        return -1;
    }
    memmove(item_at(a, low), item_at(a, high), (size_t)(Py_SIZE(a) - high) * a->type->size);
    return resize(a, Py_SIZE(a) - (high - low));
}

static int array_ass_item(PyObject *o, Py_ssize_t i, PyObject *v)
{
    Array *a = ARRAY(o);
    if (i < 0 || i >= Py_SIZE(a)) {
        PyErr_SetString(PyExc_IndexError, "array assignment index out of range");
        return -1;
    }
    if (!v) return delete_range(a, i, i + 1);
    char item[16];
    if (a->type->set(item, v) < 0) return -1;
    if (i >= Py_SIZE(a)) {                    /* the conversion ran code that shortened the array */
        PyErr_SetString(PyExc_IndexError, "array assignment index out of range");
        return -1;
    }
    memcpy(item_at(a, i), item, a->type->size);
    return 0;
}

static int array_contains(PyObject *o, PyObject *v)
{
    for (Py_ssize_t i = 0; i < Py_SIZE(o); i++) {
        PyObject *item = get_item(ARRAY(o), i);
        if (!item) return -1;
        int equal = PyObject_RichCompareBool(item, v, Py_EQ);
        Py_DECREF(item);
        if (equal) return equal;
    }
    return 0;
}

static int extend_from_iterable(Array *a, PyObject *iterable)
{
    PyObject *it = PyObject_GetIter(iterable), *v;
    if (!it) return -1;
    while ((v = PyIter_Next(it))) {
        int status = insert_at(a, Py_SIZE(a), v);
        Py_DECREF(v);
        if (status < 0) {
            Py_DECREF(it);
            return -1;
        }
    }
    Py_DECREF(it);
    return PyErr_Occurred() ? -1 : 0;
}

static int extend(Array *a, PyObject *other)
{
    if (!is_array(other, state_of(Py_TYPE(a)))) return extend_from_iterable(a, other);
    Array *b = ARRAY(other);
    if (a->type != b->type) {
        PyErr_SetString(PyExc_TypeError, "can only extend with array of same kind");
        return -1;
    }
    Py_ssize_t n = Py_SIZE(b), old = Py_SIZE(a);
    if (old > PY_SSIZE_T_MAX - n) {
        PyErr_NoMemory();
        return -1;
    }
    if (resize(a, old + n) < 0) return -1;
    if (n) memcpy(item_at(a, old), b->items, (size_t)n * a->type->size);     /* b may be a */
    return 0;
}

static PyObject *array_inplace_concat(PyObject *o, PyObject *other)
{
    if (!is_array(other, state_of(Py_TYPE(o)))) {
        PyErr_Format(PyExc_TypeError, "can only extend array with array (not \"%.200s\")", Py_TYPE(other)->tp_name);
        return NULL;
    }
    return extend(ARRAY(o), other) < 0 ? NULL : Py_NewRef(o);
}

static PyObject *array_inplace_repeat(PyObject *o, Py_ssize_t n)
{
    Array *a = ARRAY(o);
    Py_ssize_t size = Py_SIZE(a);
    if (size > 0 && n != 1) {
        if (n < 0) n = 0;
        if (n && size > PY_SSIZE_T_MAX / n) return PyErr_NoMemory();
        if (resize(a, size * n) < 0) return NULL;
        if (n) fill_repeated(a->items, (size_t)(size * n) * a->type->size, (size_t)size * a->type->size);
    }
    return Py_NewRef(o);
}

static PyObject *array_subscript(PyObject *o, PyObject *key)
{
    Array *a = ARRAY(o);
    if (PyIndex_Check(key)) {
        Py_ssize_t i = PyNumber_AsSsize_t(key, PyExc_IndexError);
        if (i == -1 && PyErr_Occurred()) return NULL;
        return array_item(o, i < 0 ? i + Py_SIZE(a) : i);
    }
    if (!PySlice_Check(key)) {
        PyErr_SetString(PyExc_TypeError, "array indices must be integers");
        return NULL;
    }
    Py_ssize_t start, stop, step;
    if (PySlice_Unpack(key, &start, &stop, &step) < 0) return NULL;
    Py_ssize_t n = PySlice_AdjustIndices(Py_SIZE(a), &start, &stop, step);
    if (n <= 0) return copy_range(a, 0, 0);
    if (step == 1) return copy_range(a, start, start + n);
    Array *result = new_array(state_of(Py_TYPE(o))->array_type, n, a->type);
    for (Py_ssize_t i = 0; result && i < n; i++) memcpy(item_at(result, i), item_at(a, start + i * step), a->type->size);
    return OBJECT(result);
}

/* Opens or closes a gap so that [start, start + old) becomes new items wide. */
static int make_room(Array *a, Py_ssize_t start, Py_ssize_t old, Py_ssize_t new)
{
    size_t size = a->type->size;
    Py_ssize_t length = Py_SIZE(a), tail = length - start - old;
    if (new < old) {
        memmove(item_at(a, start + new), item_at(a, start + old), (size_t)tail * size);
        return resize(a, length - old + new);
    }
    if (new > old) {
        if (resize(a, length - old + new) < 0) return -1;
        memmove(item_at(a, start + new), item_at(a, start + old), (size_t)tail * size);
    }
    return 0;
}

static int assign_slice(Array *a, PyObject *key, PyObject *value)
{
    Py_ssize_t start, stop, step, needed = 0;
    Array *other = NULL;
    if (PySlice_Unpack(key, &start, &stop, &step) < 0) return -1;
    if (value) {
        if (!is_array(value, state_of(Py_TYPE(a)))) {
            PyErr_Format(PyExc_TypeError, "can only assign array (not \"%.200s\") to array slice", Py_TYPE(value)->tp_name);
            return -1;
        }
        other = ARRAY(value);
        if (other->type != a->type) {
            PyErr_BadArgument();
            return -1;
        }
        if (other == a) {                     /* a copy, so that the source does not change under the hand */
            PyObject *copy = copy_range(a, 0, Py_SIZE(a));
            if (!copy) return -1;
            int status = assign_slice(a, key, copy);
            Py_DECREF(copy);
            return status;
        }
        needed = Py_SIZE(other);
    }
    Py_ssize_t n = PySlice_AdjustIndices(Py_SIZE(a), &start, &stop, step);
    size_t size = a->type->size;
    if ((step > 0 && stop < start) || (step < 0 && stop > start)) stop = start;
    if ((needed == 0 || n != needed) && a->exports > 0 && !(needed == 0 && n == 0)) {
        PyErr_SetString(PyExc_BufferError, "cannot resize an array that is exporting buffers");
        return -1;
    }
    if (step == 1) {
        if (make_room(a, start, n, needed) < 0) return -1;
        if (needed) memcpy(item_at(a, start), other->items, (size_t)needed * size);
        return 0;
    }
    if (needed == 0) {                        /* deletion */
        if (n == 0) return 0;
        if (step < 0) {
            start += step * (n - 1);
            step = -step;
        }
        for (Py_ssize_t at = start, i = 0; i < n; at += step, i++) {
            Py_ssize_t run = i == n - 1 ? Py_SIZE(a) - at - 1 : step - 1;
            memmove(item_at(a, at - i), item_at(a, at + 1), (size_t)run * size);
        }
        return resize(a, Py_SIZE(a) - n);
    }
    if (needed != n) {
        PyErr_Format(PyExc_ValueError, "attempt to assign array of size %zd to extended slice of size %zd", needed, n);
        return -1;
    }
    for (Py_ssize_t i = 0; i < n; i++) memcpy(item_at(a, start + i * step), item_at(other, i), size);
    return 0;
}

static int array_ass_subscript(PyObject *o, PyObject *key, PyObject *value)
{
    if (PyIndex_Check(key)) {
        Py_ssize_t i = PyNumber_AsSsize_t(key, PyExc_IndexError);
        if (i == -1 && PyErr_Occurred()) return -1;
        return array_ass_item(o, i < 0 ? i + Py_SIZE(o) : i, value);
    }
    if (PySlice_Check(key)) return assign_slice(ARRAY(o), key, value);
    PyErr_SetString(PyExc_TypeError, "array indices must be integers");
    return -1;
}

/* ---- buffer ------------------------------------------------------------------------------------------------------------------------------------------ */

static const char no_items[] = "";

static int array_getbuffer(PyObject *o, Py_buffer *view, int flags)
{
    Array *a = ARRAY(o);
    if (!view) {
        PyErr_SetString(PyExc_BufferError, "array_buffer_getbuf: view==NULL argument is obsolete");
        return -1;
    }
    view->buf = a->items ? a->items : (void *)(uintptr_t)no_items;
    view->obj = Py_NewRef(o);
    view->len = Py_SIZE(a) * a->type->size;
    view->readonly = 0;
    view->ndim = 1;
    view->itemsize = a->type->size;
    view->suboffsets = NULL;
    view->shape = (flags & PyBUF_ND) == PyBUF_ND ? &((PyVarObject *)a)->ob_size : NULL;
    view->strides = (flags & PyBUF_STRIDES) == PyBUF_STRIDES ? &view->itemsize : NULL;
    view->format = (flags & PyBUF_FORMAT) == PyBUF_FORMAT ? (char *)(uintptr_t)a->type->format : NULL;
    view->internal = NULL;
    a->exports++;
    return 0;
}

static void array_releasebuffer(PyObject *o, Py_buffer *Py_UNUSED(view)) { ARRAY(o)->exports--; }

/* ---- methods ----------------------------------------------------------------------------------------------------------------------------------------- */

BUILTIN_O(array, append, "($self, v, /)", "Put v at the end of the array.")
{
    return insert_at(ARRAY(self), Py_SIZE(self), arg) < 0 ? NULL : Py_NewRef(Py_None);
}

BUILTIN(array, insert, POSITIONAL, "($self, i, v, /)", "Put v before position i.")
{
    Py_ssize_t i = PyNumber_AsSsize_t(arg[0], PyExc_OverflowError);
    if (i == -1 && PyErr_Occurred()) return NULL;
    return insert_at(ARRAY(self), i, arg[1]) < 0 ? NULL : Py_NewRef(Py_None);
}

BUILTIN(array, extend, KEYWORDS, "($self, bb, /)", "Put the items of an array or other iterable at the end.")
{
    return extend(ARRAY(self), arg[0]) < 0 ? NULL : Py_NewRef(Py_None);
}

BUILTIN_O(array, count, "($self, v, /)", "How often v occurs.")
{
    Py_ssize_t count = 0;
    for (Py_ssize_t i = 0; i < Py_SIZE(self); i++) {
        PyObject *item = get_item(ARRAY(self), i);
        if (!item) return NULL;
        int equal = PyObject_RichCompareBool(item, arg, Py_EQ);
        Py_DECREF(item);
        if (equal < 0) return NULL;
        count += equal;
    }
    return PyLong_FromSsize_t(count);
}

/* What the start and stop of index() mean: any integer, clipped. */
static int slice_bound(PyObject *o, Py_ssize_t *bound)
{
    if (!PyIndex_Check(o)) {
        PyErr_SetString(PyExc_TypeError, "slice indices must be integers or have an __index__ method");
        return -1;
    }
    *bound = PyNumber_AsSsize_t(o, NULL);
    return *bound == -1 && PyErr_Occurred() ? -1 : 0;
}

BUILTIN(array, index, POSITIONAL, "($self, v, start=0, stop=sys.maxsize, /)", "The position of the first v in the given range.")
{
    Py_ssize_t start = 0, stop = PY_SSIZE_T_MAX;
    if (arg[1] && slice_bound(arg[1], &start) < 0) return NULL;
    if (arg[2] && slice_bound(arg[2], &stop) < 0) return NULL;
    if (start < 0) {
        start += Py_SIZE(self);
        if (start < 0) start = 0;
    }
    if (stop < 0) stop += Py_SIZE(self);
    for (Py_ssize_t i = start; i < stop && i < Py_SIZE(self); i++) {
        PyObject *item = get_item(ARRAY(self), i);
        if (!item) return NULL;
        int equal = PyObject_RichCompareBool(item, arg[0], Py_EQ);
        Py_DECREF(item);
        if (equal) return equal < 0 ? NULL : PyLong_FromSsize_t(i);
    }
    PyErr_SetString(PyExc_ValueError, "array.index(x): x not in array");
    return NULL;
}

BUILTIN_O(array, remove, "($self, v, /)", "Take the first v out of the array.")
{
    for (Py_ssize_t i = 0; i < Py_SIZE(self); i++) {
        PyObject *item = get_item(ARRAY(self), i);
        if (!item) return NULL;
        int equal = PyObject_RichCompareBool(item, arg, Py_EQ);
        Py_DECREF(item);
        if (equal < 0) return NULL;
        if (equal) return delete_range(ARRAY(self), i, i + 1) < 0 ? NULL : Py_NewRef(Py_None);
    }
    PyErr_SetString(PyExc_ValueError, "array.remove(x): x not in array");
    return NULL;
}

BUILTIN(array, pop, POSITIONAL, "($self, i=-1, /)", "Take the item at position i out of the array and return it.")
{
    Py_ssize_t i = -1;
    if (arg[0]) {
        i = PyNumber_AsSsize_t(arg[0], PyExc_OverflowError);
        if (i == -1 && PyErr_Occurred()) return NULL;
    }
    if (Py_SIZE(self) == 0) {
        PyErr_SetString(PyExc_IndexError, "pop from empty array");
        return NULL;
    }
    if (i < 0) i += Py_SIZE(self);
    if (i < 0 || i >= Py_SIZE(self)) {
        PyErr_SetString(PyExc_IndexError, "pop index out of range");
        return NULL;
    }
    PyObject *item = get_item(ARRAY(self), i);
    if (item && delete_range(ARRAY(self), i, i + 1) < 0) Py_CLEAR(item);
    return item;
}

BUILTIN_NOARGS(array, clear, "($self, /)", "Take all items out.")
{
    return resize(ARRAY(self), 0) < 0 ? NULL : Py_NewRef(Py_None);
}

BUILTIN_NOARGS(array, reverse, "($self, /)", "Reverse the order of the items.")
{
    Array *a = ARRAY(self);
    size_t size = a->type->size;
    char item[16];
    for (Py_ssize_t i = 0, j = Py_SIZE(a) - 1; i < j; i++, j--) {
        memcpy(item, item_at(a, i), size);
        memcpy(item_at(a, i), item_at(a, j), size);
        memcpy(item_at(a, j), item, size);
    }
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(array, byteswap, "($self, /)", "Reverse the bytes of each item.")
{
    Array *a = ARRAY(self);
    int size = a->type->size;
    for (Py_ssize_t i = 0; i < Py_SIZE(a); i++) {
        char *p = item_at(a, i);
        for (int j = 0; j < size / 2; j++) {
            char byte = p[j];
            p[j] = p[size - 1 - j];
            p[size - 1 - j] = byte;
        }
    }
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(array, buffer_info, "($self, /)", "(address, length): where the items are, and how many. Times itemsize, that is bytes.")
{
    return Py_BuildValue("(Nn)", PyLong_FromVoidPtr(ARRAY(self)->items), Py_SIZE(self));
}

BUILTIN_NOARGS(array, tolist, "($self, /)", "The items as a list.")
{
    PyObject *list = PyList_New(Py_SIZE(self));
    for (Py_ssize_t i = 0; list && i < Py_SIZE(self); i++) {
        PyObject *item = get_item(ARRAY(self), i);
        if (item) PyList_SET_ITEM(list, i, item);
        else Py_CLEAR(list);
    }
    return list;
}

BUILTIN_O(array, fromlist, "($self, list, /)", "Put the items of a list at the end; all or, if one does not fit, none.")
{
    Array *a = ARRAY(self);
    if (!PyList_Check(arg)) {
        PyErr_SetString(PyExc_TypeError, "arg must be list");
        return NULL;
    }
    Py_ssize_t n = PyList_GET_SIZE(arg), old = Py_SIZE(a);
    if (n > 0) {
        if (resize(a, old + n) < 0) return NULL;
        memset(item_at(a, old), 0, (size_t)n * a->type->size);
        for (Py_ssize_t i = 0; i < n; i++) {
            PyObject *v = PyList_GetItemRef(arg, i);
            char item[16];
            int status = v ? a->type->set(item, v) : -1;
            Py_XDECREF(v);
            if (status == 0 && (n != PyList_GET_SIZE(arg) || Py_SIZE(a) != old + n)) {
                PyErr_SetString(PyExc_RuntimeError, "list changed size during iteration");
                status = -1;
            }
            if (status < 0) {
                PyObject *error = PyErr_GetRaisedException();
                if (Py_SIZE(a) > old && resize(a, old) < 0) PyErr_Clear();
                PyErr_SetRaisedException(error);
                return NULL;
            }
            memcpy(item_at(a, old + i), item, a->type->size);
        }
    }
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(array, tobytes, "($self, /)", "The items as bytes, as they lie in memory.")
{
    Array *a = ARRAY(self);
    if (Py_SIZE(a) > PY_SSIZE_T_MAX / a->type->size) return PyErr_NoMemory();
    return PyBytes_FromStringAndSize(a->items, Py_SIZE(a) * a->type->size);
}

static PyObject *from_bytes(Array *a, PyObject *source)
{
    Py_buffer view;
    if (PyObject_GetBuffer(source, &view, PyBUF_SIMPLE) < 0) return NULL;
    PyObject *result = NULL;
    size_t size = a->type->size;
    Py_ssize_t n = view.len / (Py_ssize_t)size, old = Py_SIZE(a);
    if (view.itemsize != 1) PyErr_SetString(PyExc_TypeError, "a bytes-like object is required");
    else if (view.len % (Py_ssize_t)size) PyErr_SetString(PyExc_ValueError, "bytes length not a multiple of item size");
    else if (n == 0) result = Py_NewRef(Py_None);
    else if (old > PY_SSIZE_T_MAX - n || (old + n) > PY_SSIZE_T_MAX / (Py_ssize_t)size) PyErr_NoMemory();
    else if (resize(a, old + n) == 0) {
        memcpy(item_at(a, old), view.buf, (size_t)n * size);
        result = Py_NewRef(Py_None);
    }
    PyBuffer_Release(&view);
    return result;
}

BUILTIN_O(array, frombytes, "($self, buffer, /)", "Put items at the end that have these bytes in memory.") { return from_bytes(ARRAY(self), arg); }

static PyObject *from_text(Array *a, PyObject *text)
{
    Py_ssize_t n = PyUnicode_GET_LENGTH(text), old = Py_SIZE(a);
    if (n == 0) Py_RETURN_NONE;
    if (resize(a, old + n) < 0) return NULL;
    if (!PyUnicode_AsUCS4(text, (Py_UCS4 *)(void *)item_at(a, old), n, 0)) return NULL;
    Py_RETURN_NONE;
}

BUILTIN_O(array, fromunicode, "($self, ustr, /)", "Put the characters of a string at the end of an array of type 'u' or 'w'.")
{
    if (!PyUnicode_Check(arg)) {
        PyErr_Format(PyExc_TypeError, "fromunicode() argument must be str, not %.50s", arg == Py_None ? "None" : Py_TYPE(arg)->tp_name);
        return NULL;
    }
    if (!is_text(ARRAY(self)->type)) {
        PyErr_SetString(PyExc_ValueError, "fromunicode() may only be called on unicode type arrays ('u' or 'w')");
        return NULL;
    }
    return from_text(ARRAY(self), arg);
}

BUILTIN_NOARGS(array, tounicode, "($self, /)", "The characters of an array of type 'u' or 'w' as a string.")
{
    if (!is_text(ARRAY(self)->type)) {
        PyErr_SetString(PyExc_ValueError, "tounicode() may only be called on unicode type arrays ('u' or 'w')");
        return NULL;
    }
    return characters(ARRAY(self)->items, Py_SIZE(self));
}

BUILTIN(array, fromfile, KEYWORDS, "($self, f, n, /)", "Put n items at the end, read as bytes from a file.")
{
    Py_ssize_t n = PyNumber_AsSsize_t(arg[1], PyExc_OverflowError), size = ARRAY(self)->type->size;
    if (n == -1 && PyErr_Occurred()) return NULL;
    if (n < 0) {
        PyErr_SetString(PyExc_ValueError, "negative count");
        return NULL;
    }
    if (n > PY_SSIZE_T_MAX / size) return PyErr_NoMemory();
    PyObject *count = PyLong_FromSsize_t(n * size);
    PyObject *bytes = count ? PyObject_CallMethodOneArg(arg[0], state_of(Py_TYPE(self))->read_name, count) : NULL;
    Py_XDECREF(count);
    if (!bytes) return NULL;
    if (!PyBytes_Check(bytes)) {
        PyErr_SetString(PyExc_TypeError, "read() didn't return bytes");
        Py_DECREF(bytes);
        return NULL;
    }
    bool too_few = PyBytes_GET_SIZE(bytes) != n * size;
    PyObject *result = from_bytes(ARRAY(self), bytes);
    Py_DECREF(bytes);
    if (result && too_few) {
        PyErr_SetString(PyExc_EOFError, "read() didn't return enough bytes");
        Py_CLEAR(result);
    }
    return result;
}

BUILTIN(array, tofile, KEYWORDS, "($self, f, /)", "Write the items as bytes to a file.")
{
    enum { BLOCK = 64 * 1024 };
    ArrayState *state = state_of(Py_TYPE(self));
    for (Py_ssize_t at = 0; at < Py_SIZE(self) * ARRAY(self)->type->size; at += BLOCK) {
        Py_ssize_t size = Py_SIZE(self) * ARRAY(self)->type->size - at;
        PyObject *bytes = PyBytes_FromStringAndSize(ARRAY(self)->items + at, size < BLOCK ? size : BLOCK);
        PyObject *result = bytes ? PyObject_CallMethodOneArg(arg[0], state->write_name, bytes) : NULL;
        Py_XDECREF(bytes);
        if (!result) return NULL;
        Py_DECREF(result);
    }
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(array, __copy__, "($self, /)", "A copy of the array.") { return copy_range(ARRAY(self), 0, Py_SIZE(self)); }
BUILTIN_O(array, __deepcopy__, "($self, unused, /)", "A copy of the array.")
{
    (void)arg;
    return copy_range(ARRAY(self), 0, Py_SIZE(self));
}

BUILTIN_NOARGS(array, __sizeof__, "($self, /)", "Size of the array in bytes, its items included.")
{
    return PyLong_FromSsize_t(Py_TYPE(self)->tp_basicsize + ARRAY(self)->allocated * ARRAY(self)->type->size);
}

/* ---- pickling --------------------------------------------------------------------------------------------------------------------------------------- */

/* How bytes in a pickle are laid out. The numbers are part of the format. */
typedef struct MachineFormat { uint8_t size; bool is_signed, big, floating, text; } MachineFormat;

static const MachineFormat machine_formats[] = {
    { 1, false, false, false, false }, { 1, true, false, false, false },
    { 2, false, false, false, false }, { 2, false, true, false, false }, { 2, true, false, false, false }, { 2, true, true, false, false },
    { 4, false, false, false, false }, { 4, false, true, false, false }, { 4, true, false, false, false }, { 4, true, true, false, false },
    { 8, false, false, false, false }, { 8, false, true, false, false }, { 8, true, false, false, false }, { 8, true, true, false, false },
    { 4, false, false, true, false }, { 4, false, true, true, false }, { 8, false, false, true, false }, { 8, false, true, true, false },
    { 2, false, false, false, true }, { 2, false, true, false, true }, { 4, false, false, false, true }, { 4, false, true, false, true },
};

static int machine_format_of(const ItemType *type)
{
    bool floating = type->code == 'f' || type->code == 'd', text = is_text(type);
    for (size_t i = 0; i < ARRAY_LENGTH(machine_formats); i++) {
        const MachineFormat *m = &machine_formats[i];
        if (m->size == type->size && m->is_signed == type->is_signed && m->floating == floating && m->text == text &&
            (m->size == 1 || m->big == PY_BIG_ENDIAN))
            return (int)i;
    }
    return -1;
}

BUILTIN(array, __reduce_ex__, KEYWORDS, "($self, value, /)", "What pickles it.")
{
    ArrayState *state = state_of(Py_TYPE(self));
    Array *a = ARRAY(self);
    PyObject *dict, *result = NULL;
    if (!PyLong_Check(arg[0])) {
        PyErr_SetString(PyExc_TypeError, "__reduce_ex__ argument should be an integer");
        return NULL;
    }
    long protocol = PyLong_AsLong(arg[0]);
    if (protocol == -1 && PyErr_Occurred()) return NULL;
    if (PyObject_GetOptionalAttr(self, state->dict_name, &dict) < 0) return NULL;
    if (!dict) dict = Py_NewRef(Py_None);
    int format = machine_format_of(a->type);
    if (format < 0 || protocol < 3) {         /* protocols without bytes: as a list */
        PyObject *list = array_tolist(self, NULL);
        if (list) result = Py_BuildValue("O(CO)O", Py_TYPE(self), a->type->code, list, dict);
        Py_XDECREF(list);
    }
    else {
        PyObject *bytes = array_tobytes(self, NULL);
        if (bytes) result = Py_BuildValue("N(OCiN)O", Py_NewRef(state->reconstructor), Py_TYPE(self), a->type->code, format, bytes, dict);
    }
    Py_DECREF(dict);
    return result;
}

static PyObject *make_array(PyTypeObject *type, char code, PyObject *items)
{
    PyObject *code_text = PyUnicode_FromOrdinal(code), *result = NULL;
    if (code_text) {
        PyObject *args = PyTuple_Pack(2, code_text, items);
        if (args) result = type->tp_new(type, args, NULL);
        Py_XDECREF(args);
        Py_DECREF(code_text);
    }
    return result;
}

/* The integer of size bytes at p. */
static PyObject *read_integer(const unsigned char *p, const MachineFormat *m)
{
    uint64_t value = 0;
    for (int i = 0; i < m->size; i++) value |= (uint64_t)p[m->big ? m->size - 1 - i : i] << (8 * i);
    if (!m->is_signed) return PyLong_FromUnsignedLongLong(value);
    unsigned shift = 64 - 8u * m->size;
    return PyLong_FromLongLong((int64_t)(value << shift) >> shift);
}

/* A list of what the bytes of a foreign machine mean. */
static PyObject *decode_items(const MachineFormat *m, const char *p, Py_ssize_t length)
{
    if (length % m->size) {
        PyErr_SetString(PyExc_ValueError, m->text ? "string length not a multiple of item size" : "bytes length not a multiple of item size");
        return NULL;
    }
    if (m->text) {
        int order = m->big ? 1 : -1;
        return m->size == 2 ? PyUnicode_DecodeUTF16(p, length, NULL, &order) : PyUnicode_DecodeUTF32(p, length, NULL, &order);
    }
    PyObject *list = PyList_New(length / m->size);
    for (Py_ssize_t i = 0; list && i < length / m->size; i++, p += m->size) {
        PyObject *item;
        if (!m->floating) item = read_integer((const unsigned char *)p, m);
        else item = PyFloat_FromDouble(m->size == 4 ? PyFloat_Unpack4(p, !m->big) : PyFloat_Unpack8(p, !m->big));
        if (item) PyList_SET_ITEM(list, i, item);
        else Py_CLEAR(list);
    }
    return list;
}

BUILTIN(module, _array_reconstructor, POSITIONAL, "($module, arraytype, typecode, mformat_code, items,\n                     /)",
    "The array that a pickle describes.")
{
    ArrayState *state = state_of_module(self);
    PyTypeObject *type = (PyTypeObject *)arg[0];
    if (!PyUnicode_Check(arg[1]) || PyUnicode_GET_LENGTH(arg[1]) != 1) {
        PyErr_Format(PyExc_TypeError, "_array_reconstructor() argument 2 must be a unicode character, not %.50s",
                     arg[1] == Py_None ? "None" : Py_TYPE(arg[1])->tp_name);
        return NULL;
    }
    int code = (int)PyUnicode_READ_CHAR(arg[1], 0), format = PyLong_AsInt(arg[2]);
    if (format == -1 && PyErr_Occurred()) return NULL;
    if (!PyType_Check(arg[0])) {
        PyErr_Format(PyExc_TypeError, "first argument must be a type object, not %.200s", Py_TYPE(arg[0])->tp_name);
        return NULL;
    }
    if (!PyType_IsSubtype(type, state->array_type)) {
        PyErr_Format(PyExc_TypeError, "%.200s is not a subtype of %.200s", type->tp_name, state->array_type->tp_name);
        return NULL;
    }
    const ItemType *item_type = find_type(code);
    if (!item_type) {
        PyErr_SetString(PyExc_ValueError, "second argument must be a valid type code");
        return NULL;
    }
    if (format < 0 || format >= (int)ARRAY_LENGTH(machine_formats)) {
        PyErr_SetString(PyExc_ValueError, "third argument must be a valid machine format code.");
        return NULL;
    }
    if (!PyBytes_Check(arg[3])) {
        PyErr_Format(PyExc_TypeError, "fourth argument should be bytes, not %.200s", Py_TYPE(arg[3])->tp_name);
        return NULL;
    }
    if (format == machine_format_of(item_type)) return make_array(type, (char)code, arg[3]);
    const MachineFormat *m = &machine_formats[format];
    if (!m->text && !m->floating) {           /* the type of that size and sign, whatever it is called here */
        for (size_t i = 0; i < ARRAY_LENGTH(item_types); i++) {
            const ItemType *candidate = &item_types[i];
            if (candidate->integer && candidate->size == m->size && candidate->is_signed == m->is_signed) {
                code = candidate->code;
                break;
            }
        }
    }
    PyObject *items = decode_items(m, PyBytes_AS_STRING(arg[3]), PyBytes_GET_SIZE(arg[3]));
    PyObject *result = items ? make_array(type, (char)code, items) : NULL;
    Py_XDECREF(items);
    return result;
}

/* ---- type --------------------------------------------------------------------------------------------------------------------------------------------- */

static PyObject *array_repr(PyObject *o)
{
    Array *a = ARRAY(o);
    PyObject *name = PyType_GetName(Py_TYPE(o)), *items = NULL, *result = NULL;
    if (!name) return NULL;
    if (Py_SIZE(a) == 0) result = PyUnicode_FromFormat("%U('%c')", name, a->type->code);
    else {
        items = is_text(a->type) ? array_tounicode(o, NULL) : array_tolist(o, NULL);
        if (items) result = PyUnicode_FromFormat("%U('%c', %R)", name, a->type->code, items);
    }
    Py_DECREF(name);
    Py_XDECREF(items);
    return result;
}

static PyObject *wrong_initializer(const char *what, int code)
{
    PyErr_Format(PyExc_TypeError, "cannot use a %s to initialize an array with typecode '%c'", what, code);
    return NULL;
}

/* The array of that type with the items of initial, or NULL. */
static PyObject *from_initializer(ArrayState *state, PyTypeObject *type, const ItemType *item_type, PyObject *initial)
{
    bool sequence = initial && (PyList_Check(initial) || PyTuple_Check(initial));
    bool same = initial && is_array(initial, state) && ARRAY(initial)->type == item_type;
    Py_ssize_t n = sequence ? PySequence_Size(initial) : same ? Py_SIZE(initial) : 0;
    bool text = initial && PyUnicode_Check(initial);
    if (text) n = PyUnicode_GET_LENGTH(initial);
    if (n < 0) return NULL;
    Array *a = new_array(type, n, item_type);
    if (!a || !initial) return OBJECT(a);
    if (sequence) {
        memset(a->items ? a->items : (char *)&n, 0, a->items ? (size_t)n * item_type->size : 0);
        for (Py_ssize_t i = 0; i < n; i++) {
            PyObject *v = PySequence_GetItem(initial, i);
            char item[16];
            int status = v ? item_type->set(item, v) : -1;
            Py_XDECREF(v);
            if (status < 0) goto error;
            memcpy(item_at(a, i), item, item_type->size);
        }
        return OBJECT(a);
    }
    if (PyByteArray_Check(initial) || PyBytes_Check(initial)) {
        PyObject *done = from_bytes(a, initial);
        if (!done) goto error;
        Py_DECREF(done);
        return OBJECT(a);
    }
    if (text) {
        if (n && !PyUnicode_AsUCS4(initial, (Py_UCS4 *)(void *)a->items, n, 0)) goto error;
        return OBJECT(a);
    }
    if (same) {
        if (n) memcpy(a->items, ARRAY(initial)->items, (size_t)n * item_type->size);
        return OBJECT(a);
    }
    if (extend_from_iterable(a, initial) < 0) goto error;
    return OBJECT(a);
error:
    Py_DECREF(a);
    return NULL;
}

static PyObject *array_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    ArrayState *state = state_of(type);
    PyObject *initial = NULL;
    int code;
    if ((type == state->array_type || type->tp_init == state->array_type->tp_init) && kwargs && PyDict_GET_SIZE(kwargs)) {
        PyErr_SetString(PyExc_TypeError, "array.array() takes no keyword arguments");
        return NULL;
    }
    if (!PyArg_ParseTuple(args, "C|O:array", &code, &initial)) return NULL;
    if (PySys_Audit("array.__new__", "CO", code, initial ? initial : Py_None) < 0) return NULL;
    if (code == 'u' && PyErr_WarnEx(PyExc_DeprecationWarning, "The 'u' type code is deprecated and will be removed in Python 3.16", 1) < 0)
        return NULL;
    bool text = code == 'u' || code == 'w';
    if (initial && !text) {
        if (PyUnicode_Check(initial)) return wrong_initializer("str", code);
        if (is_array(initial, state) && is_text(ARRAY(initial)->type)) return wrong_initializer("unicode array", code);
    }
    const ItemType *item_type = find_type(code);
    if (!item_type) {
        PyErr_SetString(PyExc_ValueError, "bad typecode (must be b, B, u, w, h, H, i, I, l, L, q, Q, f or d)");
        return NULL;
    }
    return from_initializer(state, type, item_type, initial);
}

static PyObject *array_iter(PyObject *o)
{
    ArrayState *state = state_of(Py_TYPE(o));
    ArrayIterator *it = PyObject_GC_New(ArrayIterator, state->iterator_type);
    if (!it) return NULL;
    it->array = ARRAY(Py_NewRef(o));
    it->index = 0;
    PyObject_GC_Track(it);
    return OBJECT(it);
}

static PyObject *get_typecode(PyObject *o, void *Py_UNUSED(closure)) { return PyUnicode_FromOrdinal(ARRAY(o)->type->code); }
static PyObject *get_itemsize(PyObject *o, void *Py_UNUSED(closure)) { return PyLong_FromLong(ARRAY(o)->type->size); }

static PyGetSetDef array_getset[] = {
    { "typecode", get_typecode, NULL, "the character that the array was made with", NULL },
    { "itemsize", get_itemsize, NULL, "the bytes of one item", NULL },
    {0},
};

static PyMethodDef array_methods[] = {
    METHOD(array, append), METHOD(array, buffer_info), METHOD(array, byteswap), METHOD(array, clear), METHOD(array, __copy__),
    METHOD(array, count), METHOD(array, __deepcopy__), METHOD(array, extend), METHOD(array, fromfile), METHOD(array, fromlist),
    METHOD(array, frombytes), METHOD(array, fromunicode), METHOD(array, index), METHOD(array, insert), METHOD(array, pop),
    METHOD(array, __reduce_ex__), METHOD(array, remove), METHOD(array, reverse), METHOD(array, tofile), METHOD(array, tolist),
    METHOD(array, tobytes), METHOD(array, tounicode), METHOD(array, __sizeof__),
    { "__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, "See PEP 585" },
    {0},
};

static PyMemberDef array_members[] = {
    { "__weaklistoffset__", Py_T_PYSSIZET, offsetof(Array, weakreflist), Py_READONLY },
    {0},
};

PyDoc_STRVAR(array_doc,
"array(typecode [, initializer]) -> array\n"
"\n"
"A sequence of items of one C type, given by its code, with the items of an\n"
"iterable, of another array, of bytes as they lie in memory, or for 'u' and\n"
"'w' the characters of a string.\n"
"\n"
"Codes (least bytes): b B signed and unsigned integer (1), h H (2), i I (2),\n"
"l L (4), q Q (8), f d floating point (4, 8), w character (4), u wchar_t (2,\n"
"deprecated).");

static PyType_Slot array_slots[] = {
    { Py_tp_dealloc, array_dealloc }, { Py_tp_repr, array_repr }, { Py_tp_getattro, PyObject_GenericGetAttr },
    { Py_tp_doc, (void *)(uintptr_t)array_doc }, { Py_tp_richcompare, array_richcompare }, { Py_tp_iter, array_iter },
    { Py_tp_methods, array_methods }, { Py_tp_members, array_members }, { Py_tp_getset, array_getset },
    { Py_tp_alloc, PyType_GenericAlloc }, { Py_tp_new, array_new }, { Py_tp_traverse, array_traverse },
    { Py_sq_length, array_length }, { Py_sq_concat, array_concat }, { Py_sq_repeat, array_repeat }, { Py_sq_item, array_item },
    { Py_sq_ass_item, array_ass_item }, { Py_sq_contains, array_contains }, { Py_sq_inplace_concat, array_inplace_concat },
    { Py_sq_inplace_repeat, array_inplace_repeat }, { Py_mp_length, array_length }, { Py_mp_subscript, array_subscript },
    { Py_mp_ass_subscript, array_ass_subscript }, { Py_bf_getbuffer, array_getbuffer }, { Py_bf_releasebuffer, array_releasebuffer },
    {0},
};

static PyType_Spec array_spec = {
    .name = "array.array",
    .basicsize = sizeof(Array),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_SEQUENCE,
    .slots = array_slots,
};

/* ---- iterator ------------------------------------------------------------------------------------------------------------------------------------------ */

static PyObject *iterator_next(PyObject *o)
{
    ArrayIterator *it = (ArrayIterator *)o;
    Array *a = it->array;
    if (!a) return NULL;
    if (it->index < Py_SIZE(a)) return get_item(a, it->index++);
    it->array = NULL;
    Py_DECREF(a);
    return NULL;
}

static void iterator_dealloc(PyObject *o)
{
    PyTypeObject *type = Py_TYPE(o);
    PyObject_GC_UnTrack(o);
    Py_XDECREF(((ArrayIterator *)o)->array);
    PyObject_GC_Del(o);
    Py_DECREF(type);
}

static int iterator_traverse(PyObject *o, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(o));
    Py_VISIT(((ArrayIterator *)o)->array);
    return 0;
}

BUILTIN_NOARGS(arrayiterator, __reduce__, "($self, /)", "What pickles it.")
{
    ArrayIterator *it = (ArrayIterator *)self;
    PyObject *builtins = PyEval_GetBuiltins();               /* borrowed; a dict */
    PyObject *function = builtins ? PyMapping_GetItemString(builtins, "iter") : NULL;
    if (!function) return NULL;
    if (!it->array) return Py_BuildValue("N(())", function);
    return Py_BuildValue("N(O)n", function, it->array, it->index);
}

BUILTIN_O(arrayiterator, __setstate__, "($self, state, /)", "Continue at that position.")
{
    ArrayIterator *it = (ArrayIterator *)self;
    Py_ssize_t index = PyLong_AsSsize_t(arg);
    if (index == -1 && PyErr_Occurred()) return NULL;
    if (it->array) {
        if (index < 0) index = 0;
        else if (index > Py_SIZE(it->array)) index = Py_SIZE(it->array);
        it->index = index;
    }
    Py_RETURN_NONE;
}

static PyMethodDef iterator_methods[] = { METHOD(arrayiterator, __reduce__), METHOD(arrayiterator, __setstate__), {0} };

static PyType_Slot iterator_slots[] = {
    { Py_tp_dealloc, iterator_dealloc }, { Py_tp_getattro, PyObject_GenericGetAttr }, { Py_tp_traverse, iterator_traverse },
    { Py_tp_iter, PyObject_SelfIter }, { Py_tp_iternext, iterator_next }, { Py_tp_methods, iterator_methods }, {0},
};

static PyType_Spec iterator_spec = {
    .name = "array.arrayiterator",
    .basicsize = sizeof(ArrayIterator),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = iterator_slots,
};

/* ---- module ---------------------------------------------------------------------------------------------------------------------------------------------- */

static PyMethodDef module_methods[] = { METHOD(module, _array_reconstructor), {0} };

static int module_traverse(PyObject *module, visitproc visit, void *arg)
{
    ArrayState *state = state_of_module(module);
    Py_VISIT(state->array_type);
    Py_VISIT(state->iterator_type);
    Py_VISIT(state->reconstructor);
    return 0;
}

static int module_clear(PyObject *module)
{
    ArrayState *state = state_of_module(module);
    Py_CLEAR(state->array_type);
    Py_CLEAR(state->iterator_type);
    Py_CLEAR(state->reconstructor);
    Py_CLEAR(state->dict_name);
    Py_CLEAR(state->read_name);
    Py_CLEAR(state->write_name);
    return 0;
}

static void module_free(void *module) { module_clear(module); }

static int register_as_mutable_sequence(ArrayState *state)
{
    PyObject *abc = PyImport_ImportModule("collections.abc"), *cls = abc ? PyObject_GetAttrString(abc, "MutableSequence") : NULL;
    PyObject *result = cls ? PyObject_CallMethod(cls, "register", "O", state->array_type) : NULL;
    Py_XDECREF(abc);
    Py_XDECREF(cls);
    Py_XDECREF(result);
    return result ? 0 : -1;
}

static int module_exec(PyObject *module)
{
    ArrayState *state = state_of_module(module);
    if (!(state->dict_name = PyUnicode_InternFromString("__dict__")) || !(state->read_name = PyUnicode_InternFromString("read")) ||
        !(state->write_name = PyUnicode_InternFromString("write")))
        return -1;
    if (!(state->reconstructor = PyObject_GetAttrString(module, "_array_reconstructor"))) return -1;
    if (!(state->array_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &array_spec, NULL))) return -1;
    if (!(state->iterator_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &iterator_spec, NULL))) return -1;
    if (PyModule_AddObjectRef(module, "ArrayType", OBJECT(state->array_type)) < 0) return -1;
    if (PyModule_AddType(module, state->array_type) < 0) return -1;
    if (register_as_mutable_sequence(state) < 0) return -1;
    return PyModule_AddStringConstant(module, "typecodes", type_codes);
}

static PyModuleDef_Slot module_slots[] = {
    { Py_mod_exec, module_exec },
    { Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED },
    { Py_mod_gil, Py_MOD_GIL_NOT_USED },
    {0},
};

static PyModuleDef array_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "array",
    .m_doc = "Compact sequences of characters, integers and floats.",
    .m_size = sizeof(ArrayState),
    .m_methods = module_methods,
    .m_slots = module_slots,
    .m_traverse = module_traverse,
    .m_clear = module_clear,
    .m_free = module_free,
};

PyMODINIT_FUNC PyInit_array(void) { return PyModuleDef_Init(&array_module); }
