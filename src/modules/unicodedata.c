/* unicodedata: the Unicode Character Database, and as ucd_3_2_0 what it was in version 3.2.0 (for IDNA and stringprep).
 *
 * Functions of the module and methods of the UCD object are the same C functions; self tells which database is meant. */
#include "capi/args.h"
#include "objects/text.h"
#include "objects/unicode_data.h"
#include "unicode_database_tables.h"                       /* generated */

#include <stdlib.h>
#include <string.h>

/* ---- the old database --------------------------------------------------------------------------------------------- */

typedef struct OldRecord { Py_UCS4 first, last; char category[3], bidirectional[4]; int8_t decimal, mirrored; char width[3]; } OldRecord;

static const OldRecord old_records[] = {
#define OLD(first, last, category, bidirectional, decimal, mirrored, width) { first, last, category, bidirectional, decimal, mirrored, width },
#include "modules/ucd_3_2_0.def"
};

static const OldRecord unchanged = { .decimal = -2, .mirrored = -1 };

static inline bool is_old(PyObject *self) { return !PyModule_Check(self); }

static unsigned database_index(Py_UCS4 c)
{
    return database_index2[((unsigned)database_index1[c >> UNICODE_SHIFT] << UNICODE_SHIFT) + (c & ((1 << UNICODE_SHIFT) - 1))];
}

#define RECORD(c) (&database[database_index(c)])

/* What 3.2.0 said differently; NULL when it did not know the character. */
static const OldRecord *old_record(Py_UCS4 c)
{
    if (RECORD(c)->since_3_2 || RECORD(c)->category == 0) return NULL;
    size_t low = 0, high = ARRAY_LENGTH(old_records);
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (old_records[middle].last < c) low = middle + 1;
        else if (old_records[middle].first > c) high = middle;
        else return &old_records[middle];
    }
    return &unchanged;
}

static bool known(PyObject *self, Py_UCS4 c) { return !is_old(self) || old_record(c); }

/* ---- properties ------------------------------------------------------------------------------------------------------ */

static int char_arg(const char *function, const char *argument, PyObject *o, Py_UCS4 *c)
{
    if (!PyUnicode_Check(o) || PyUnicode_GET_LENGTH(o) != 1) return text_wrong_type(function, argument, "a unicode character", o);
    *c = PyUnicode_READ_CHAR(o, 0);
    return 0;
}

static PyObject *or_default(PyObject *value, const char *message)
{
    if (value) return Py_NewRef(value);
    PyErr_SetString(PyExc_ValueError, message);
    return NULL;
}

BUILTIN(ucd, decimal, POSITIONAL, "($self, chr, default=<unrepresentable>, /)", "The decimal value of a character; without one default, or ValueError.")
{
    Py_UCS4 c;
    if (char_arg("decimal", "argument 1", arg[0], &c) < 0) return NULL;
    int value = _PyUnicode_ToDecimalDigit(c);
    if (is_old(self)) {
        const OldRecord *old = old_record(c);
        if (!old) value = -1;
        else if (old->decimal != -2) value = old->decimal;
    }
    return value < 0 ? or_default(arg[1], "not a decimal") : PyLong_FromLong(value);
}

BUILTIN(ucd, digit, POSITIONAL, "($self, chr, default=<unrepresentable>, /)", "The digit value of a character; without one default, or ValueError.")
{
    Py_UCS4 c;
    if (char_arg("digit", "argument 1", arg[0], &c) < 0) return NULL;
    int value = _PyUnicode_ToDigit(c);
    return value < 0 ? or_default(arg[1], "not a digit") : PyLong_FromLong(value);
}

BUILTIN(ucd, numeric, POSITIONAL, "($self, chr, default=<unrepresentable>, /)", "The numeric value of a character as a float; without one default, or ValueError.")
{
    Py_UCS4 c;
    if (char_arg("numeric", "argument 1", arg[0], &c) < 0) return NULL;
    double value = known(self, c) ? _PyUnicode_ToNumeric(c) : -1.0;
    return value == -1.0 ? or_default(arg[1], "not a numeric character") : PyFloat_FromDouble(value);
}

BUILTIN_O(ucd, category, "($self, chr, /)", "The general category of a character.")
{
    Py_UCS4 c;
    if (char_arg("category", "argument", arg, &c) < 0) return NULL;
    const char *name = category_names[RECORD(c)->category];
    if (is_old(self)) {
        const OldRecord *old = old_record(c);
        if (!old) name = "Cn";
        else if (*old->category) name = old->category;
    }
    return PyUnicode_FromString(name);
}

BUILTIN_O(ucd, bidirectional, "($self, chr, /)", "The bidirectional class of a character; '' without one.")
{
    Py_UCS4 c;
    if (char_arg("bidirectional", "argument", arg, &c) < 0) return NULL;
    const char *name = bidirectional_names[RECORD(c)->bidirectional];
    if (is_old(self)) {
        const OldRecord *old = old_record(c);
        if (!old) name = "";
        else if (*old->bidirectional) name = old->bidirectional;
    }
    return PyUnicode_FromString(name);
}

BUILTIN_O(ucd, combining, "($self, chr, /)", "The canonical combining class of a character; 0 without one.")
{
    Py_UCS4 c;
    if (char_arg("combining", "argument", arg, &c) < 0) return NULL;
    return PyLong_FromLong(known(self, c) ? RECORD(c)->combining : 0);
}

BUILTIN_O(ucd, mirrored, "($self, chr, /)", "1 when a character is mirrored in bidirectional text, otherwise 0.")
{
    Py_UCS4 c;
    if (char_arg("mirrored", "argument", arg, &c) < 0) return NULL;
    int value = RECORD(c)->mirrored;
    if (is_old(self)) {
        const OldRecord *old = old_record(c);
        if (!old) value = 0;
        else if (old->mirrored != -1) value = old->mirrored;
    }
    return PyLong_FromLong(value);
}

BUILTIN_O(ucd, east_asian_width, "($self, chr, /)", "The East Asian width of a character.")
{
    Py_UCS4 c;
    if (char_arg("east_asian_width", "argument", arg, &c) < 0) return NULL;
    const char *name = east_asian_width_names[RECORD(c)->east_asian_width];
    if (is_old(self)) {
        const OldRecord *old = old_record(c);
        if (!old && RECORD(c)->category) name = "N";
        else if (old && *old->width) name = old->width;
    }
    return PyUnicode_FromString(name);
}

/* The decomposition's codes; *count and *tag say how many and of what kind (0: canonical). */
static const uint32_t *decomposition_of(Py_UCS4 c, int *count, int *tag)
{
    unsigned at = decomposition_index2[((unsigned)decomposition_index1[c >> UNICODE_SHIFT] << UNICODE_SHIFT) + (c & ((1 << UNICODE_SHIFT) - 1))];
    *count = (int)(decomposition_data[at] >> 8);
    *tag = decomposition_data[at] & 255;
    return decomposition_data + at + 1;
}

BUILTIN_O(ucd, decomposition, "($self, chr, /)", "The decomposition of a character as text; '' without one.")
{
    Py_UCS4 c;
    char text[256];
    int count, tag, at = 0;
    if (char_arg("decomposition", "argument", arg, &c) < 0) return NULL;
    const uint32_t *codes = decomposition_of(c, &count, &tag);
    if (!known(self, c)) count = 0;
    if (count && tag) at = snprintf(text, sizeof text, "%s", decomposition_tags[tag]);
    for (int i = 0; i < count; i++) at += snprintf(text + at, sizeof text - (size_t)at, "%s%04X", at ? " " : "", (unsigned)codes[i]);
    return PyUnicode_FromStringAndSize(text, at);
}

/* ---- names -------------------------------------------------------------------------------------------------------------- */

BUILTIN(ucd, name, POSITIONAL, "($self, chr, default=<unrepresentable>, /)", "The name of a character; without one default, or ValueError.")
{
    Py_UCS4 c;
    char name[256];
    if (char_arg("name", "argument 1", arg[0], &c) < 0) return NULL;
    if (!known(self, c) || !unicode_name(c, name, sizeof name, false)) return or_default(arg[1], "no such name");
    return PyUnicode_FromString(name);
}

BUILTIN_O(ucd, lookup, "($self, name, /)", "The character, or sequence of characters, that has a name; KeyError when there is none.")
{
    Py_buffer view = { 0 };
    Py_ssize_t n;
    const char *name;
    Py_UCS4 c, sequence[4];
    if (PyUnicode_Check(arg)) name = PyUnicode_AsUTF8AndSize(arg, &n);
    else {
        if (PyObject_GetBuffer(arg, &view, PyBUF_SIMPLE) < 0) return NULL;
        name = view.buf;
        n = view.len;
    }
    PyObject *result = NULL;
    char canonical[256];
    if (!name) return NULL;
    if (n > 256) PyErr_SetString(PyExc_KeyError, "name too long");
    else if (!unicode_lookup(name, (int)n, &c, !is_old(self)) ||
             /* the old database knows no aliases */
             (is_old(self) && (!unicode_name(c, canonical, sizeof canonical, false) || (Py_ssize_t)strlen(canonical) != n || PyOS_strnicmp(canonical, name, n) != 0)))
        PyErr_Format(PyExc_KeyError, "undefined character name '%.*s'", (int)n, name);
    else {
        int length = unicode_sequence(c, sequence);
        result = length ? PyUnicode_FromKindAndData(4, sequence, length) : PyUnicode_FromOrdinal((int)c);
    }
    if (view.obj) PyBuffer_Release(&view);
    return result;
}

/* ---- normalisation ------------------------------------------------------------------------------------------------------ */

enum { S_BASE = 0xac00, L_BASE = 0x1100, V_BASE = 0x1161, T_BASE = 0x11a7, L_COUNT = 19, V_COUNT = 21, T_COUNT = 28, S_COUNT = L_COUNT * V_COUNT * T_COUNT };

typedef struct Chars { Py_UCS4 *p; Py_ssize_t n, size; } Chars;

static int chars_add(Chars *out, Py_UCS4 c)
{
    if (out->n == out->size) {
        Py_ssize_t size = out->size + out->size / 2 + 64;
        Py_UCS4 *p = PyMem_Realloc(out->p, (size_t)size * sizeof *p);
        if (!p) {
            PyErr_NoMemory();
            return -1;
        }
        out->p = p;
        out->size = size;
    }
    out->p[out->n++] = c;
    return 0;
}

/* Corrections made after 3.2.0 (Corrigendum 4 and others), undone for the old database. */
static Py_UCS4 old_normalization(Py_UCS4 c)
{
    switch (c) {
        case 0x2f868: return 0x2136a;
        case 0x2f874: return 0x5f33;
        case 0x2f91f: return 0x43ab;
        case 0x2f95f: return 0x7aae;
        case 0x2f9bf: return 0x4d57;
        default: return 0;
    }
}

/* Decompositions do not nest deeper than a few levels. */
static int decompose_char(Chars *out, PyObject *self, Py_UCS4 c, bool compatible)
{
    int count, tag;
    if (c >= S_BASE && c < S_BASE + S_COUNT) {
        Py_UCS4 i = c - S_BASE, t = i % T_COUNT;
        if (chars_add(out, L_BASE + i / (V_COUNT * T_COUNT)) < 0 || chars_add(out, V_BASE + i % (V_COUNT * T_COUNT) / T_COUNT) < 0) return -1;
        return t ? chars_add(out, T_BASE + t) : 0;
    }
    const uint32_t *codes = decomposition_of(c, &count, &tag);
    if (is_old(self) && count) {
        if (!old_record(c)) count = 0;
        else if (old_normalization(c)) return chars_add(out, old_normalization(c));
    }
    if (count == 0 || (tag && !compatible)) return chars_add(out, c);
    for (int i = 0; i < count; i++) if (decompose_char(out, self, codes[i], compatible) < 0) return -1;
    return 0;
}

/* Marks after a starter in the order of their classes, stably. Runs are short, but hostile ones are not: merge sort those. */
static void sort_marks(Py_UCS4 *p, Py_ssize_t n, Py_UCS4 *scratch)
{
    if (n <= 16) {
        for (Py_ssize_t i = 1; i < n; i++) {
            Py_UCS4 c = p[i];
            int class = RECORD(c)->combining;
            Py_ssize_t j = i;
            for (; j > 0 && RECORD(p[j - 1])->combining > class; j--) p[j] = p[j - 1];
            p[j] = c;
        }
        return;
    }
    Py_ssize_t half = n / 2;
    sort_marks(p, half, scratch);
    sort_marks(p + half, n - half, scratch);
    memcpy(scratch, p, (size_t)half * sizeof *p);
    for (Py_ssize_t i = 0, j = half, k = 0; i < half;) {
        if (j < n && RECORD(p[j])->combining < RECORD(scratch[i])->combining) p[k++] = p[j++];
        else p[k++] = scratch[i++];
    }
}

static int reorder(Chars *s)
{
    Py_UCS4 *scratch = NULL;
    for (Py_ssize_t i = 0; i < s->n;) {
        if (RECORD(s->p[i])->combining == 0) {
            i++;
            continue;
        }
        Py_ssize_t start = i;
        while (i < s->n && RECORD(s->p[i])->combining) i++;
        if (i - start > 16 && !scratch && !(scratch = PyMem_New(Py_UCS4, s->n))) {
            PyErr_NoMemory();
            return -1;
        }
        sort_marks(s->p + start, i - start, scratch);
    }
    PyMem_Free(scratch);
    return 0;
}

static Py_UCS4 compose_pair(Py_UCS4 a, Py_UCS4 b)           /* 0: none */
{
    if (a >= L_BASE && a < L_BASE + L_COUNT && b >= V_BASE && b < V_BASE + V_COUNT) return S_BASE + ((a - L_BASE) * V_COUNT + (b - V_BASE)) * T_COUNT;
    if (a >= S_BASE && a < S_BASE + S_COUNT && (a - S_BASE) % T_COUNT == 0 && b > T_BASE && b < T_BASE + T_COUNT) return a + (b - T_BASE);
    size_t low = 0, high = COMPOSITION_COUNT;
    while (low < high) {
        size_t middle = (low + high) / 2;
        const uint32_t *pair = compositions[middle];
        if (pair[0] == a && pair[1] == b) return pair[2];
        if (pair[0] < a || (pair[0] == a && pair[1] < b)) low = middle + 1;
        else high = middle;
    }
    return 0;
}

/* In place: a mark joins the last starter unless one between them has its class or more. */
static void compose(Chars *s)
{
    Py_ssize_t starter = -1, n = 0;
    int last = 0;
    for (Py_ssize_t i = 0; i < s->n; i++) {
        Py_UCS4 c = s->p[i], joined;
        int class = RECORD(c)->combining;
        if (starter >= 0 && (n == starter + 1 || (last && last < class)) && (joined = compose_pair(s->p[starter], c))) {
            s->p[starter] = joined;
            continue;
        }
        if (class == 0) starter = n;
        last = class;
        s->p[n++] = c;
    }
    s->n = n;
}

static PyObject *normalized(PyObject *self, PyObject *text, bool composed, bool compatible)
{
    Chars s = { 0 };
    PyObject *result = NULL;
    int kind = PyUnicode_KIND(text);
    const void *data = PyUnicode_DATA(text);
    for (Py_ssize_t i = 0; i < PyUnicode_GET_LENGTH(text); i++) {
        if (decompose_char(&s, self, PyUnicode_READ(kind, data, i), compatible) < 0) goto done;
    }
    if (reorder(&s) < 0) goto done;
    if (composed) compose(&s);
    result = PyUnicode_FromKindAndData(4, s.p, s.n);
done:
    PyMem_Free(s.p);
    return result;
}

typedef enum Answer { YES, MAYBE, NO } Answer;

/* Whether text is normalised, as far as looking at its characters one by one tells; yes_only stops at the first doubt. */
static Answer quick_check(PyObject *self, PyObject *text, bool composed, bool compatible, bool yes_only)
{
    if (is_old(self)) return NO;                            /* the data are those of the current version */
    if (PyUnicode_IS_ASCII(text)) return YES;
    int shift = (composed ? 4 : 0) + (compatible ? 2 : 0), previous = 0;
    Answer answer = YES;
    int kind = PyUnicode_KIND(text);
    const void *data = PyUnicode_DATA(text);
    for (Py_ssize_t i = 0; i < PyUnicode_GET_LENGTH(text); i++) {
        unsigned r = database_index(PyUnicode_READ(kind, data, i));
        int class = database[r].combining, check = database[r].quick_check >> shift & 3;
        if (class && previous > class) return NO;
        previous = class;
        if (check == 2) return NO;
        if (check == 1) {
            if (yes_only) return MAYBE;
            answer = MAYBE;
        }
    }
    return answer;
}

static int form_of(PyObject *form, bool *composed, bool *compatible)
{
    static const char *const names[] = { "NFD", "NFKD", "NFC", "NFKC" };
    for (int i = 0; i < 4; i++) {
        if (PyUnicode_CompareWithASCIIString(form, names[i]) != 0) continue;
        *composed = i >= 2;
        *compatible = i & 1;
        return 0;
    }
    PyErr_SetString(PyExc_ValueError, "invalid normalization form");
    return -1;
}

static int text_args(const char *function, PyObject *const *arg)
{
    for (int i = 0; i < 2; i++) if (!PyUnicode_Check(arg[i])) return text_wrong_type(function, i ? "argument 2" : "argument 1", "str", arg[i]);
    return 0;
}

BUILTIN(ucd, normalize, POSITIONAL, "($self, form, unistr, /)", "The text in a normal form: 'NFC', 'NFKC', 'NFD' or 'NFKD'.")
{
    bool composed, compatible;
    if (text_args("normalize", arg) < 0) return NULL;
    if (PyUnicode_GET_LENGTH(arg[1]) == 0) return Py_NewRef(arg[1]);
    if (form_of(arg[0], &composed, &compatible) < 0) return NULL;
    if (quick_check(self, arg[1], composed, compatible, true) == YES) return Py_NewRef(arg[1]);
    return normalized(self, arg[1], composed, compatible);
}

BUILTIN(ucd, is_normalized, POSITIONAL, "($self, form, unistr, /)", "Whether the text is in a normal form: 'NFC', 'NFKC', 'NFD' or 'NFKD'.")
{
    bool composed, compatible;
    if (text_args("is_normalized", arg) < 0) return NULL;
    if (PyUnicode_GET_LENGTH(arg[1]) == 0) Py_RETURN_TRUE;
    if (form_of(arg[0], &composed, &compatible) < 0) return NULL;
    Answer answer = quick_check(self, arg[1], composed, compatible, false);
    if (answer == YES) Py_RETURN_TRUE;
    if (answer == NO && !is_old(self)) Py_RETURN_FALSE;
    PyObject *text = normalized(self, arg[1], composed, compatible);
    if (!text) return NULL;
    bool same = PyUnicode_Compare(text, arg[1]) == 0;
    Py_DECREF(text);
    return PyBool_FromLong(same);
}

/* ---- module ---------------------------------------------------------------------------------------------------------------- */

static PyMethodDef ucd_methods[] = {
    METHOD(ucd, decimal), METHOD(ucd, digit), METHOD(ucd, numeric), METHOD(ucd, category), METHOD(ucd, bidirectional),
    METHOD(ucd, combining), METHOD(ucd, mirrored), METHOD(ucd, east_asian_width), METHOD(ucd, decomposition), METHOD(ucd, name),
    METHOD(ucd, lookup), METHOD(ucd, is_normalized), METHOD(ucd, normalize), { 0 },
};

static PyObject *ucd_version(PyObject *self, void *closure) { return PyUnicode_FromString("3.2.0"); }
static PyGetSetDef ucd_getset[] = { { "unidata_version", ucd_version, NULL, NULL, NULL }, { 0 } };

static void ucd_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_Free(self);
    Py_DECREF(type);
}

static PyType_Slot ucd_slots[] = {
    { Py_tp_dealloc, ucd_dealloc }, { Py_tp_methods, ucd_methods }, { Py_tp_getset, ucd_getset }, { 0, NULL },
};

static PyType_Spec ucd_spec = {
    .name = "unicodedata.UCD", .basicsize = sizeof(PyObject),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE, .slots = ucd_slots,
};

/* What the capsule _ucnhash_CAPI points to. */
static int capi_name(Py_UCS4 c, char *buffer, int size, int extras) { return unicode_name(c, buffer, size, extras); }
static int capi_code(const char *name, int n, Py_UCS4 *c, int sequences) { return unicode_lookup(name, n, c, sequences); }

static const struct {
    int (*getname)(Py_UCS4 c, char *buffer, int size, int extras);
    int (*getcode)(const char *name, int n, Py_UCS4 *c, int sequences);
} capi = { capi_name, capi_code };

static int unicodedata_exec(PyObject *module)
{
    PyObject *type = PyType_FromModuleAndSpec(module, &ucd_spec, NULL), *old = NULL, *capsule = NULL;
    int status = -1;
    if (!type || PyModule_AddStringConstant(module, "unidata_version", "15.1.0") < 0) goto done;
    if (PyModule_AddObjectRef(module, "UCD", type) < 0) goto done;
    if (!(old = (PyObject *)PyObject_New(PyObject, (PyTypeObject *)type)) || PyModule_AddObjectRef(module, "ucd_3_2_0", old) < 0) goto done;
    if (!(capsule = PyCapsule_New((void *)&capi, "unicodedata._ucnhash_CAPI", NULL))) goto done;
    status = PyModule_AddObjectRef(module, "_ucnhash_CAPI", capsule);
done:
    Py_XDECREF(capsule);
    Py_XDECREF(old);
    Py_XDECREF(type);
    return status;
}

static PyModuleDef_Slot unicodedata_slots[] = {
    { Py_mod_exec, (void *)unicodedata_exec }, { Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED },
    { Py_mod_gil, Py_MOD_GIL_NOT_USED }, { 0, NULL },
};

static PyModuleDef unicodedata_module = {
    PyModuleDef_HEAD_INIT, .m_name = "unicodedata",
    .m_doc = "Properties of all Unicode characters, from version 15.1.0 of the Unicode Character Database;\n"
             "names and symbols are those of its file UnicodeData.txt.",
    .m_methods = ucd_methods, .m_slots = unicodedata_slots,
};

PyMODINIT_FUNC PyInit_unicodedata(void) { return PyModuleDef_Init(&unicodedata_module); }
