/* The charmap codec, which all single-byte encodings of the library use: decoding through a str or a mapping of bytes to text,
 * encoding through a mapping of characters to bytes, for which PyUnicode_BuildEncodingMap makes a compact one. */
#include "objects/bytes.h"
#include "objects/unicode_codecs.h"
#include "objects/unicode_private.h"

static const char undefined[] = "character maps to <undefined>";

/* ---- decoding --------------------------------------------------------------------------------------------------------- */

/* 1: written, 0: undefined, -1: exception. */
static int decode_by_mapping(_PyUnicodeWriter *w, PyObject *mapping, unsigned char byte)
{
    PyObject *x = PyObject_GetItem(mapping, SMALL_INT(byte));
    int status = -1;
    if (!x) {
        if (!PyErr_ExceptionMatches(PyExc_LookupError)) return -1;
        PyErr_Clear();
        return 0;
    }
    if (x == Py_None) status = 0;
    else if (PyLong_Check(x)) {
        int overflow;
        long value = PyLong_AsLongAndOverflow(x, &overflow);
        if (value == 0xfffe && !overflow) status = 0;
        else if (overflow || value < 0 || value > UNICODE_MAX)
            PyErr_Format(PyExc_TypeError, "character mapping must be in range(0x%x)", UNICODE_MAX + 1);
        else status = _PyUnicodeWriter_WriteChar(w, (Py_UCS4)value) < 0 ? -1 : 1;
    }
    else if (PyUnicode_Check(x)) {
        if (LENGTH(x) == 1 && PyUnicode_READ_CHAR(x, 0) == 0xfffe) status = 0;
        else status = _PyUnicodeWriter_WriteStr(w, x) < 0 ? -1 : 1;
    }
    else PyErr_SetString(PyExc_TypeError, "character mapping must return integer, None or str");
    Py_DECREF(x);
    return status;
}

static int decode_byte(_PyUnicodeWriter *w, PyObject *mapping, unsigned char byte)
{
    if (!PyUnicode_CheckExact(mapping)) return decode_by_mapping(w, mapping, byte);
    if (byte >= LENGTH(mapping)) return 0;
    Py_UCS4 c = PyUnicode_READ_CHAR(mapping, byte);
    if (c == 0xfffe) return 0;
    return _PyUnicodeWriter_WriteChar(w, c) < 0 ? -1 : 1;
}

/* The whole text through a table of at least 256 characters without gaps: NULL without exception when there are gaps used. */
static PyObject *decode_by_table(const unsigned char *p, Py_ssize_t n, PyObject *table)
{
    int kind = KIND(table);
    const void *chars = DATA(table);
    Py_UCS4 all = 0;
    bool gap = false;
    for (Py_ssize_t i = 0; i < n; i++) {
        Py_UCS4 c = PyUnicode_READ(kind, chars, p[i]);
        all |= c;
        gap |= c == 0xfffe;
    }
    if (gap) return NULL;
    if (n == 1) return str_from_char_inline(all);
    PyObject *s = str_alloc_max(n, all > 0xffff ? UNICODE_MAX : all);
    if (s) WITH_KIND(KIND(s), {
        CHAR *out = DATA(s);
        for (Py_ssize_t i = 0; i < n; i++) out[i] = (CHAR)PyUnicode_READ(kind, chars, p[i]);
    });
    return s;
}

PyObject *PyUnicode_DecodeCharmap(const char *text, Py_ssize_t n, PyObject *mapping, const char *errors)
{
    if (!mapping) return PyUnicode_DecodeLatin1(text, n, errors);
    if (n == 0) return EMPTY_STR;
    if (PyUnicode_CheckExact(mapping) && LENGTH(mapping) >= 256) {
        PyObject *s = decode_by_table((const unsigned char *)text, n, mapping);
        if (s || PyErr_Occurred()) return s;
    }
    CodecRun run = codec_run("charmap", errors);
    DecodeInput input = { text, text + n, NULL };
    _PyUnicodeWriter w;
    _PyUnicodeWriter_Init(&w);
    w.min_length = n;
    w.overallocate = 1;
    for (const char *p = text; p < input.end;) {
        int status = decode_byte(&w, mapping, (unsigned char)*p);
        if (status < 0) goto failed;
        if (status > 0) {
            p++;
            continue;
        }
        Py_ssize_t at = p - input.start, resume;
        PyObject *replacement = codec_decode_error(&run, undefined, &input, at, at + 1, &resume);
        status = replacement ? _PyUnicodeWriter_WriteStr(&w, replacement) : -1;
        Py_XDECREF(replacement);
        if (status < 0) goto failed;
        p = input.start + resume;
    }
    codec_run_clear(&run);
    Py_XDECREF(input.replaced);
    return _PyUnicodeWriter_Finish(&w);
failed:
    codec_run_clear(&run);
    Py_XDECREF(input.replaced);
    _PyUnicodeWriter_Dealloc(&w);
    return NULL;
}

/* ---- the compact mapping ------------------------------------------------------------------------------------------------ */

enum { MAP_SHIFT = 6, MAP_BLOCK = 1 << MAP_SHIFT };

/* Characters of the basic plane to bytes: blocks of MAP_BLOCK, 0 for unmapped (U+0000 maps to byte 0 always). */
typedef struct EncodingMap {
    PyObject_HEAD
    uint8_t *blocks;                                        /* block 0 is empty */
    Py_ssize_t block_count;
    uint16_t index[0x10000 >> MAP_SHIFT];
} EncodingMap;

static void encoding_map_dealloc(PyObject *self)
{
    PyMem_Free(((EncodingMap *)self)->blocks);
    PyObject_Free(self);
}

static PyObject *encoding_map_size(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return PyLong_FromSsize_t((Py_ssize_t)sizeof(EncodingMap) + ((EncodingMap *)self)->block_count * MAP_BLOCK);
}

static PyMethodDef encoding_map_methods[] = {
    { "size", encoding_map_size, METH_NOARGS, "size($self, /)\n--\n\nBytes of memory that the map takes." }, { 0 },
};

static PyTypeObject encoding_map_type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "EncodingMap", .tp_basicsize = sizeof(EncodingMap), .tp_dealloc = encoding_map_dealloc,
    .tp_getattro = PyObject_GenericGetAttr, .tp_flags = Py_TPFLAGS_DEFAULT, .tp_methods = encoding_map_methods,
};

static int map_byte(EncodingMap *map, Py_UCS4 c)            /* -1: unmapped */
{
    if (c == 0) return 0;
    if (c > 0xffff) return -1;
    int byte = map->blocks[map->index[c >> MAP_SHIFT] * MAP_BLOCK + (c & (MAP_BLOCK - 1))];
    return byte ? byte : -1;
}

static PyObject *build_dict(PyObject *table, Py_ssize_t n)
{
    PyObject *dict = PyDict_New();
    for (Py_ssize_t i = 0; dict && i < n; i++) {
        PyObject *key = PyLong_FromUnsignedLong(PyUnicode_READ_CHAR(table, i));
        if (!key || PyDict_SetItem(dict, key, SMALL_INT(i)) < 0) Py_CLEAR(dict);
        Py_XDECREF(key);
    }
    return dict;
}

PyObject *PyUnicode_BuildEncodingMap(PyObject *table)
{
    if (!PyUnicode_Check(table) || LENGTH(table) == 0) {
        PyErr_BadArgument();
        return NULL;
    }
    Py_ssize_t n = LENGTH(table) < 256 ? LENGTH(table) : 256, blocks = 1;
    bool need_dict = PyUnicode_READ_CHAR(table, 0) != 0;
    for (Py_ssize_t i = 1; i < n; i++) {
        Py_UCS4 c = PyUnicode_READ_CHAR(table, i);
        if (c == 0 || c > 0xffff) need_dict = true;
    }
    if (need_dict) return build_dict(table, n);
    if (PyType_Ready(&encoding_map_type) < 0) return NULL;
    EncodingMap *map = PyObject_New(EncodingMap, &encoding_map_type);
    if (!map) return NULL;
    memset(map->index, 0, sizeof map->index);
    map->blocks = NULL;
    for (Py_ssize_t i = 1; i < n; i++) {
        Py_UCS4 c = PyUnicode_READ_CHAR(table, i);
        if (c != 0xfffe && !map->index[c >> MAP_SHIFT]) map->index[c >> MAP_SHIFT] = (uint16_t)blocks++;
    }
    map->block_count = blocks;
    if (!(map->blocks = PyMem_Calloc((size_t)blocks, MAP_BLOCK))) {
        Py_DECREF(map);
        return PyErr_NoMemory();
    }
    for (Py_ssize_t i = 1; i < n; i++) {
        Py_UCS4 c = PyUnicode_READ_CHAR(table, i);
        if (c != 0xfffe) map->blocks[map->index[c >> MAP_SHIFT] * MAP_BLOCK + (c & (MAP_BLOCK - 1))] = (uint8_t)i;
    }
    return OBJECT(map);
}

/* ---- encoding ------------------------------------------------------------------------------------------------------------- */

/* What c maps to, written when b is not NULL. 1: mapped, 0: undefined, -1: exception. */
static int encode_char(BytesBuilder *b, PyObject *mapping, Py_UCS4 c)
{
    if (Py_TYPE(mapping) == &encoding_map_type) {
        int byte = map_byte((EncodingMap *)mapping, c);
        if (byte < 0) return 0;
        return b && bytes_builder_byte(b, (char)byte) < 0 ? -1 : 1;
    }
    PyObject *key = PyLong_FromUnsignedLong(c), *x = key ? PyObject_GetItem(mapping, key) : NULL;
    int status = -1;
    Py_XDECREF(key);
    if (!x) {
        if (!key || !PyErr_ExceptionMatches(PyExc_LookupError)) return -1;
        PyErr_Clear();
        return 0;
    }
    if (x == Py_None) status = 0;
    else if (PyLong_Check(x)) {
        int overflow;
        long value = PyLong_AsLongAndOverflow(x, &overflow);
        if (overflow || value < 0 || value > 255) PyErr_SetString(PyExc_TypeError, "character mapping must be in range(256)");
        else status = b && bytes_builder_byte(b, (char)value) < 0 ? -1 : 1;
    }
    else if (PyBytes_Check(x)) status = b && bytes_builder_write(b, PyBytes_AS_STRING(x), PyBytes_GET_SIZE(x)) < 0 ? -1 : 1;
    else PyErr_Format(PyExc_TypeError, "character mapping must return integer, bytes or None, not %.400s", Py_TYPE(x)->tp_name);
    Py_DECREF(x);
    return status;
}

typedef struct CharmapRun { BytesBuilder b; CodecRun run; PyObject *mapping, *s; ErrorHandler kind; } CharmapRun;

/* Text that replaces s[start:end] goes through the mapping too. */
static int encode_replacement(CharmapRun *r, Py_UCS4 c, Py_ssize_t start, Py_ssize_t end)
{
    int status = encode_char(&r->b, r->mapping, c);
    if (status > 0) return 0;
    if (status == 0) codec_raise_encode_error(&r->run, undefined, r->s, start, end);
    return -1;
}

/* s[start] is undefined. Returns where to go on, or -1. */
static Py_ssize_t encode_error(CharmapRun *r, Py_ssize_t start)
{
    Py_ssize_t end = start + 1, n = LENGTH(r->s), resume;
    for (; end < n; end++) {                                /* all undefined ones in a row are one error */
        int status = encode_char(NULL, r->mapping, PyUnicode_READ_CHAR(r->s, end));
        if (status < 0) return -1;
        if (status > 0) break;
    }
    switch (r->kind) {
        case ERRORS_IGNORE: return end;
        case ERRORS_REPLACE:
            for (Py_ssize_t i = start; i < end; i++) if (encode_replacement(r, '?', start, end) < 0) return -1;
            return end;
        case ERRORS_XMLCHARREFREPLACE:
            for (Py_ssize_t i = start; i < end; i++) {
                char text[16];
                snprintf(text, sizeof text, "&#%u;", (unsigned)PyUnicode_READ_CHAR(r->s, i));
                for (const char *p = text; *p; p++) if (encode_replacement(r, (unsigned char)*p, start, end) < 0) return -1;
            }
            return end;
        default: break;
    }
    PyObject *answer = codec_encode_error(&r->run, undefined, r->s, start, end, &resume);
    if (!answer) return -1;
    if (PyBytes_Check(answer)) {
        if (bytes_builder_write(&r->b, PyBytes_AS_STRING(answer), PyBytes_GET_SIZE(answer)) < 0) resume = -1;
    }
    else for (Py_ssize_t i = 0; resume >= 0 && i < LENGTH(answer); i++) {
        if (encode_replacement(r, PyUnicode_READ_CHAR(answer, i), start, end) < 0) resume = -1;
    }
    Py_DECREF(answer);
    return resume;
}

PyObject *charmap_encode(PyObject *s, PyObject *mapping, const char *errors)
{
    if (!mapping) return latin1_encode(s, errors);
    Py_ssize_t n = LENGTH(s);
    if (n == 0) return EMPTY_BYTES;
    CharmapRun r = { .run = codec_run("charmap", errors), .mapping = mapping, .s = s, .kind = errors_kind(errors) };
    if (bytes_builder_init(&r.b, n) < 0) return NULL;
    for (Py_ssize_t i = 0; i < n;) {
        int status = encode_char(&r.b, mapping, PyUnicode_READ_CHAR(s, i));
        if (status < 0 || (status == 0 && (i = encode_error(&r, i)) < 0)) {
            codec_run_clear(&r.run);
            bytes_builder_clear(&r.b);
            return NULL;
        }
        if (status > 0) i++;
    }
    codec_run_clear(&r.run);
    return bytes_builder_finish(&r.b);
}

PyObject *PyUnicode_AsCharmapString(PyObject *s, PyObject *mapping)
{
    if (!PyUnicode_Check(s) || !mapping) {
        PyErr_BadArgument();
        return NULL;
    }
    return charmap_encode(s, mapping, NULL);
}
