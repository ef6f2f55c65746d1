/* Reading JSON: the Scanner type and scanstring(). The grammar is in scan_text.h.
 *
 * Values wait on one stack until their array or object ends, so that lists and dicts are made with their final size. */
#include "json_private.h"
#include "objects/float_text.h"
#include "objects/list.h"

enum { KEY_MAX = 64, KEYS_INITIAL = 64, KEYS_LIMIT = 1 << 14, VALUES_INITIAL = 128 };

typedef struct Scanner {
    PyObject_HEAD
    char strict;
    PyObject *object_hook, *object_pairs_hook, *parse_float, *parse_int, *parse_constant;
} Scanner;

#define SCANNER(o) ((Scanner *)(o))

/* One document being read. */
typedef struct Scan {
    const Scanner *scanner;
    PyObject *string;
    const void *data;
    Py_ssize_t n;
    bool ascii, strict;
    PyObject **values;                        /* owned */
    Py_ssize_t count, allocated;
    PyObject **keys;                          /* open addressing; owned */
    size_t keys_mask, keys_used;
    PyObject *initial[VALUES_INITIAL];
} Scan;

/* ---- errors ---------------------------------------------------------------------------------------------------------- */

/* json.decoder.JSONDecodeError(text, document, position); -1 always. */
static COLD int scan_error(Scan *c, const char *text, Py_ssize_t position)
{
    PyObject *decoder = PyImport_ImportModule("json.decoder"), *type = decoder ? PyObject_GetAttrString(decoder, "JSONDecodeError") : NULL;
    PyObject *error = type ? PyObject_CallFunction(type, "sOn", text, c->string, position) : NULL;
    if (error) PyErr_SetObject(type, error);
    Py_XDECREF(decoder);
    Py_XDECREF(type);
    Py_XDECREF(error);
    return -1;
}

/* StopIteration(position): no value begins there. */
static COLD PyObject *scan_stop(Py_ssize_t position)
{
    PyObject *value = PyLong_FromSsize_t(position);
    if (value) {
        PyErr_SetObject(PyExc_StopIteration, value);
        Py_DECREF(value);
    }
    return NULL;
}

static PyObject *scan_constant(Scan *c, const char *word, Py_ssize_t i, Py_ssize_t *end)
{
    PyObject *text = PyUnicode_InternFromString(word), *result = text ? PyObject_CallOneArg(c->scanner->parse_constant, text) : NULL;
    Py_XDECREF(text);
    *end = i + (Py_ssize_t)strlen(word);
    return result;
}

/* ---- values and keys --------------------------------------------------------------------------------------------------- */

static void values_drop(Scan *c, Py_ssize_t base)
{
    while (c->count > base) Py_DECREF(c->values[--c->count]);
}

static NOINLINE int values_grow(Scan *c)
{
    Py_ssize_t size = c->allocated * 2;
    bool own = c->values != c->initial;
    PyObject **values = PyMem_Realloc(own ? c->values : NULL, (size_t)size * sizeof *values);
    if (!values) {
        PyErr_NoMemory();
        return -1;
    }
    if (!own) memcpy(values, c->initial, (size_t)c->count * sizeof *values);
    c->values = values;
    c->allocated = size;
    return 0;
}

/* o STOLEN, also on failure. */
static ALWAYS_INLINE int values_push(Scan *c, PyObject *o)
{
    if (UNLIKELY(c->count == c->allocated) && values_grow(c) < 0) {
        Py_DECREF(o);
        return -1;
    }
    c->values[c->count++] = o;
    return 0;
}

static int keys_start(Scan *c)
{
    c->keys = PyMem_Calloc(KEYS_INITIAL, sizeof *c->keys);
    if (!c->keys) {
        PyErr_NoMemory();
        return -1;
    }
    c->keys_mask = KEYS_INITIAL - 1;
    return 0;
}

static uint64_t key_hash(PyObject *key)
{
    Py_ssize_t n = PyUnicode_GET_LENGTH(key);
    uint64_t hash = (uint64_t)n;
    for (Py_ssize_t i = 0; i < n; i++) hash = (hash ^ PyUnicode_READ_CHAR(key, i)) * 0x9e3779b97f4a7c15u;
    return hash;
}

/* Remembers a key at its free place. With too many of them, or without memory, they are forgotten and collected anew. */
static void keys_add(Scan *c, size_t i, PyObject *key)
{
    c->keys[i] = Py_NewRef(key);
    if (++c->keys_used * 2 <= c->keys_mask) return;
    size_t size = (c->keys_mask + 1) * 4;
    PyObject **bigger = size <= KEYS_LIMIT ? PyMem_Calloc(size, sizeof *bigger) : NULL;
    for (size_t k = 0; k <= c->keys_mask; k++) {
        PyObject *old = c->keys[k];
        if (!old) continue;
        if (!bigger) {
            Py_CLEAR(c->keys[k]);
            continue;
        }
        size_t place = (size_t)(key_hash(old) >> 32) & (size - 1);
        while (bigger[place]) place = (place + 1) & (size - 1);
        bigger[place] = old;
    }
    if (bigger) {
        PyMem_Free(c->keys);
        c->keys = bigger;
        c->keys_mask = size - 1;
    }
    else c->keys_used = 0;
}

/* The key remembered that equals this one, which is STOLEN. */
static PyObject *keys_share(Scan *c, PyObject *key)
{
    if (PyUnicode_GET_LENGTH(key) > KEY_MAX || (!c->keys && keys_start(c) < 0)) {
        PyErr_Clear();
        return key;
    }
    for (size_t i = (size_t)(key_hash(key) >> 32) & c->keys_mask;; i = (i + 1) & c->keys_mask) {
        PyObject *other = c->keys[i];
        if (!other) {
            keys_add(c, i, key);
            return key;
        }
        if (str_equal(other, key)) {
            Py_INCREF(other);
            Py_DECREF(key);
            return other;
        }
    }
}

/* An object with what object_hook and object_pairs_hook make of it. Takes the keys and values from base on. */
static PyObject *object_from_values(Scan *c, Py_ssize_t base)
{
    Py_ssize_t n = c->count - base;
    PyObject **pairs = c->values + base, *result, *hook = c->scanner->object_pairs_hook;
    if (UNLIKELY(hook != Py_None)) {
        PyObject *list = PyList_New(n / 2);
        for (Py_ssize_t i = 0; list && i < n; i += 2) {
            PyObject *pair = PyTuple_Pack(2, pairs[i], pairs[i + 1]);
            if (pair) PyList_SET_ITEM(list, i / 2, pair);
            else Py_CLEAR(list);
        }
        values_drop(c, base);
        result = list ? PyObject_CallOneArg(hook, list) : NULL;
        Py_XDECREF(list);
        return result;
    }
    result = PyDict_New();
    if (UNLIKELY(!result)) {
        values_drop(c, base);
        return NULL;
    }
    c->count = base;
    for (Py_ssize_t i = 0; i < n; i += 2)
        if (UNLIKELY(dict_set_steal((PyDictObject *)result, pairs[i], pairs[i + 1]) < 0)) {
            for (i += 2; i < n; i++) Py_DECREF(pairs[i]);
            Py_DECREF(result);
            return NULL;
        }
    hook = c->scanner->object_hook;
    if (UNLIKELY(hook != Py_None)) Py_SETREF(result, PyObject_CallOneArg(hook, result));
    return result;
}

#define CHAR Py_UCS1
#define KIND 1
#define T(name) name##_ucs1
#include "scan_text.h"
#define CHAR Py_UCS2
#define KIND 2
#define T(name) name##_ucs2
#include "scan_text.h"
#define CHAR Py_UCS4
#define KIND 4
#define T(name) name##_ucs4
#include "scan_text.h"

static void scan_start(Scan *c, const Scanner *scanner, PyObject *string, bool strict)
{
    c->scanner = scanner;
    c->string = string;
    c->data = PyUnicode_DATA(string);
    c->n = PyUnicode_GET_LENGTH(string);
    c->ascii = PyUnicode_IS_ASCII(string);
    c->strict = strict;
    c->values = c->initial;
    c->count = 0;
    c->allocated = VALUES_INITIAL;
    c->keys = NULL;
    c->keys_used = 0;
}

static void scan_end(Scan *c)
{
    if (c->values != c->initial) PyMem_Free(c->values);
    if (c->keys) {
        for (size_t i = 0; i <= c->keys_mask; i++) Py_XDECREF(c->keys[i]);
        PyMem_Free(c->keys);
    }
}

PyObject *json_read_string(PyObject *s, Py_ssize_t begin, bool strict, Py_ssize_t *end)
{
    Scan c;
    scan_start(&c, NULL, s, strict);
    if (begin < 0 || begin > c.n) {
        PyErr_SetString(PyExc_ValueError, "end is out of bounds");
        return NULL;
    }
    switch (PyUnicode_KIND(s)) {
    case PyUnicode_1BYTE_KIND: return scan_string_ucs1(&c, begin, end);
    case PyUnicode_2BYTE_KIND: return scan_string_ucs2(&c, begin, end);
    default: return scan_string_ucs4(&c, begin, end);
    }
}

/* ---- Scanner ----------------------------------------------------------------------------------------------------------- */

static PyObject *result_pair(PyObject *value, Py_ssize_t end)
{
    PyObject *number = value ? PyLong_FromSsize_t(end) : NULL, *pair = number ? PyTuple_Pack(2, value, number) : NULL;
    Py_XDECREF(value);
    Py_XDECREF(number);
    return pair;
}

SIGNATURE(scan_signature, "scan_once", KEYWORDS, "(string, idx)");

static PyObject *scanner_call(PyObject *self, PyObject *args, PyObject *kwargs)
{
    PyObject *arg[2], *value;
    if (args_bind_tuple(&scan_signature, args, kwargs, arg) < 0) return NULL;
    Py_ssize_t start = PyNumber_AsSsize_t(arg[1], PyExc_OverflowError), end = 0;
    if (start == -1 && PyErr_Occurred()) return NULL;
    if (!PyUnicode_Check(arg[0])) {
        PyErr_Format(PyExc_TypeError, "first argument must be a string, not %.80s", Py_TYPE(arg[0])->tp_name);
        return NULL;
    }
    if (start < 0) {
        PyErr_SetString(PyExc_ValueError, "idx cannot be negative");
        return NULL;
    }
    Scan c;
    scan_start(&c, SCANNER(self), arg[0], SCANNER(self)->strict);
    switch (PyUnicode_KIND(arg[0])) {
    case PyUnicode_1BYTE_KIND: value = scan_value_ucs1(&c, start, &end); break;
    case PyUnicode_2BYTE_KIND: value = scan_value_ucs2(&c, start, &end); break;
    default: value = scan_value_ucs4(&c, start, &end);
    }
    scan_end(&c);
    return result_pair(value, end);
}

SIGNATURE(scanner_signature, "make_scanner", KEYWORDS, "(context)");

static PyObject *scanner_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *context, *strict;
    if (args_bind_tuple(&scanner_signature, args, kwargs, &context) < 0) return NULL;
    Scanner *s = SCANNER(type->tp_alloc(type, 0));
    if (!s) return NULL;
    if (!(strict = PyObject_GetAttrString(context, "strict"))) goto error;
    int truth = PyObject_IsTrue(strict);
    Py_DECREF(strict);
    if (truth < 0) goto error;
    s->strict = (char)truth;
    if ((s->object_hook = PyObject_GetAttrString(context, "object_hook")) && (s->object_pairs_hook = PyObject_GetAttrString(context, "object_pairs_hook")) &&
        (s->parse_float = PyObject_GetAttrString(context, "parse_float")) && (s->parse_int = PyObject_GetAttrString(context, "parse_int")) &&
        (s->parse_constant = PyObject_GetAttrString(context, "parse_constant"))) return OBJECT(s);
error:
    Py_DECREF(s);
    return NULL;
}

static int scanner_traverse(PyObject *self, visitproc visit, void *arg)
{
    Scanner *s = SCANNER(self);
    VISIT_TYPE(self);
    Py_VISIT(s->object_hook);
    Py_VISIT(s->object_pairs_hook);
    Py_VISIT(s->parse_float);
    Py_VISIT(s->parse_int);
    Py_VISIT(s->parse_constant);
    return 0;
}

static int scanner_clear(PyObject *self)
{
    Scanner *s = SCANNER(self);
    Py_CLEAR(s->object_hook);
    Py_CLEAR(s->object_pairs_hook);
    Py_CLEAR(s->parse_float);
    Py_CLEAR(s->parse_int);
    Py_CLEAR(s->parse_constant);
    return 0;
}

static void scanner_dealloc(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    scanner_clear(self);
    free_instance(self);
}

static PyMemberDef scanner_members[] = {
    { "strict", Py_T_BOOL, offsetof(Scanner, strict), Py_READONLY, "strict" },
    { "object_hook", _Py_T_OBJECT, offsetof(Scanner, object_hook), Py_READONLY, "object_hook" },
    { "object_pairs_hook", _Py_T_OBJECT, offsetof(Scanner, object_pairs_hook), Py_READONLY, NULL },
    { "parse_float", _Py_T_OBJECT, offsetof(Scanner, parse_float), Py_READONLY, "parse_float" },
    { "parse_int", _Py_T_OBJECT, offsetof(Scanner, parse_int), Py_READONLY, "parse_int" },
    { "parse_constant", _Py_T_OBJECT, offsetof(Scanner, parse_constant), Py_READONLY, "parse_constant" },
    { 0 },
};
static PyType_Slot scanner_slots[] = {
    SLOT(tp_doc, "JSON scanner object"), SLOT(tp_dealloc, scanner_dealloc), SLOT(tp_call, scanner_call), SLOT(tp_traverse, scanner_traverse),
    SLOT(tp_clear, scanner_clear), SLOT(tp_members, scanner_members), SLOT(tp_new, scanner_new), { 0, NULL },
};
PyType_Spec scanner_spec = { "_json.Scanner", sizeof(Scanner), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC, scanner_slots };
