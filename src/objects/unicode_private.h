/* What the files of str share: allocation, kinds, copying between kinds, error handlers of codecs. Included nowhere else. */
#ifndef TAIPAN_OBJECTS_UNICODE_PRIVATE_H
#define TAIPAN_OBJECTS_UNICODE_PRIVATE_H

#include "objects/unicode.h"
#include "memory/alloc.h"
#include "runtime/state.h"

#include <string.h>

enum { UNICODE_MAX = 0x10ffff };

#define LENGTH(s) PyUnicode_GET_LENGTH(s)
#define KIND(s)   ((int)PyUnicode_KIND(s))
#define DATA(s)   PyUnicode_DATA(s)
#define ASCII_HEAD(s) ((PyASCIIObject *)(s))
#define COMPACT_HEAD(s) ((PyCompactUnicodeObject *)(s))

/* Runs statement with CHAR naming the character type of kind. */
#define WITH_KIND(kind, statement) \
    do { \
        switch (kind) { \
            case PyUnicode_1BYTE_KIND: { typedef Py_UCS1 CHAR; statement; } break; \
            case PyUnicode_2BYTE_KIND: { typedef Py_UCS2 CHAR; statement; } break; \
            default: { typedef Py_UCS4 CHAR; statement; } break; \
        } \
    } while (0)

static inline int kind_of_max(Py_UCS4 max) { return max < 0x100 ? 1 : max < 0x10000 ? 2 : 4; }

static inline bool is_ascii_bytes(const void *p, size_t n)
{
    const unsigned char *s = p;
    for (; n >= 32; s += 32, n -= 32) {
        uint64_t w[4];
        memcpy(w, s, 32);
        if ((w[0] | w[1] | w[2] | w[3]) & 0x8080808080808080u) return false;
    }
    for (; n >= 8; s += 8, n -= 8) {
        uint64_t w;
        memcpy(&w, s, 8);
        if (w & 0x8080808080808080u) return false;
    }
    unsigned char all = 0;
    while (n--) all |= *s++;
    return all < 0x80;
}

/* Number of ASCII bytes that p begins with. */
static inline size_t ascii_prefix(const unsigned char *p, const unsigned char *end)
{
    const unsigned char *s = p;
    while (end - s >= 8) {
        uint64_t w;
        memcpy(&w, s, 8);
        if (w & 0x8080808080808080u) break;
        s += 8;
    }
    while (s < end && *s < 0x80) s++;
    return (size_t)(s - p);
}

/* The class of the widest character: 0x7f, 0xff, 0xffff or 0x10ffff (more when a character is beyond Unicode). */
Py_UCS4 chars_max(int kind, const void *data, Py_ssize_t n);

/* A str or bytes: blocks of more than a kilobyte come from PyObject_Malloc, whose realloc can move pages instead of bytes. */
static ALWAYS_INLINE PyObject *text_object_alloc(PyTypeObject *type, size_t size)
{
    if (LIKELY(size <= 1024)) return object_alloc(thread_get(), type, size);
    PyObject *o = PyObject_Malloc(size);
    if (UNLIKELY(!o)) return PyErr_NoMemory();
    o->ob_refcnt = 1;
    o->ob_type = type;
    return o;
}

/* The object's memory made fit for size; NULL without exception. Gives small blocks back when much of them is not used. */
void *text_object_realloc(PyObject *o, size_t old_size, size_t size);

/* Uninitialised, terminated. n > 0. NULL with MemoryError. */
static ALWAYS_INLINE PyObject *str_alloc(Py_ssize_t n, int kind, bool ascii)
{
    size_t head = ascii ? sizeof(PyASCIIObject) : sizeof(PyCompactUnicodeObject);
    if (UNLIKELY((size_t)n > (PY_SSIZE_T_MAX - head) / (size_t)kind - 1)) return PyErr_NoMemory();
    PyObject *o = text_object_alloc(&PyUnicode_Type, head + ((size_t)n + 1) * (size_t)kind);
    if (UNLIKELY(!o)) return NULL;
    ASCII_HEAD(o)->length = n;
    ASCII_HEAD(o)->hash = -1;
    memset(&ASCII_HEAD(o)->state, 0, sizeof ASCII_HEAD(o)->state);
    ASCII_HEAD(o)->state.kind = (unsigned)kind & 7;
    ASCII_HEAD(o)->state.compact = 1;
    ASCII_HEAD(o)->state.ascii = ascii;
    if (!ascii) {
        COMPACT_HEAD(o)->utf8_length = 0;
        COMPACT_HEAD(o)->utf8 = NULL;
    }
    char *data = (char *)o + head;
    if (kind == 1) data[n] = 0;
    else if (kind == 2) ((Py_UCS2 *)(void *)data)[n] = 0;
    else ((Py_UCS4 *)(void *)data)[n] = 0;
    return o;
}

static inline PyObject *str_alloc_max(Py_ssize_t n, Py_UCS4 max) { return str_alloc(n, kind_of_max(max), max < 0x80); }

static inline PyObject *latin1_char(Py_UCS4 ch)          /* borrowed, immortal; ch < 256 */
{
    return ch < 128 ? (PyObject *)&_PyRuntime.ascii[ch].head : (PyObject *)&_PyRuntime.latin1[ch - 128].head;
}

static inline PyObject *str_from_char_inline(Py_UCS4 ch)
{
    return LIKELY(ch < 256) ? latin1_char(ch) : str_from_char(ch);
}

/* s itself, or its copy as an exact str when it is of a subclass. New reference. */
PyObject *str_exact(PyObject *s);

/* n characters from kind to another kind; what does not fit in a narrower kind must not occur. */
void chars_convert(int from_kind, const void *from, int to_kind, void *to, Py_ssize_t n);

static inline void *chars_at(int kind, const void *data, Py_ssize_t i) { return (char *)data + i * kind; }

/* n characters of from, from start on, to to, at position at. The kind of to holds them. */
static inline void str_copy(PyObject *to, Py_ssize_t at, PyObject *from, Py_ssize_t start, Py_ssize_t n)
{
    int k = KIND(from), k2 = KIND(to);
    if (LIKELY(k == k2)) memcpy(chars_at(k, DATA(to), at), chars_at(k, DATA(from), start), (size_t)(n * k));
    else chars_convert(k, chars_at(k, DATA(from), start), k2, chars_at(k2, DATA(to), at), n);
}

void chars_fill(int kind, void *data, Py_UCS4 ch, Py_ssize_t n);

PyObject *str_from_chars(int kind, const void *data, Py_ssize_t n);       /* any content: narrowed as needed */
PyObject *str_substring(PyObject *s, Py_ssize_t start, Py_ssize_t end);   /* 0 <= start, end clipped */

/* True when the owner of the only reference may change s. */
static inline bool str_is_modifiable(PyObject *s)
{
    return Py_REFCNT(s) == 1 && ASCII_HEAD(s)->hash == -1 && !ASCII_HEAD(s)->state.interned && PyUnicode_CheckExact(s);
}

/* s (owned; steals it), which str_alloc made and which may be wider than needed, in its canonical form. */
PyObject *str_finish(PyObject *s, Py_ssize_t length);

/* -1 with TypeError when o is no str. */
int str_require(PyObject *o);

/* A codec or TypeError's "must be str, not X": 0 or -1. */
void str_unintern(PyObject *s);

/* ---- searching (str_search.c) ----------------------------------------------------------------------------------- */

Py_ssize_t chars_find_char(int kind, const void *data, Py_ssize_t n, Py_UCS4 ch);
Py_ssize_t chars_rfind_char(int kind, const void *data, Py_ssize_t n, Py_UCS4 ch);
/* Both of the same kind, m > 0. Index or -1. */
Py_ssize_t chars_find(int kind, const void *h, Py_ssize_t n, const void *p, Py_ssize_t m);
Py_ssize_t chars_rfind(int kind, const void *h, Py_ssize_t n, const void *p, Py_ssize_t m);
Py_ssize_t chars_count(int kind, const void *h, Py_ssize_t n, const void *p, Py_ssize_t m, Py_ssize_t max);

/* A string's characters in a kind at least as wide as its own. Zero-initialise; free with needle_clear. */
typedef struct Needle {
    const void *data;
    Py_ssize_t length;
    void *owned;
    Py_UCS4 small[16];
} Needle;

int needle_init(Needle *needle, PyObject *s, int kind);                   /* -1 with MemoryError */
static inline void needle_clear(Needle *needle) { PyMem_Free(needle->owned); }

static inline void clip_range(Py_ssize_t *start, Py_ssize_t *end, Py_ssize_t length)
{
    if (*end > length) *end = length;
    else if (*end < 0 && (*end += length) < 0) *end = 0;
    if (*start < 0 && (*start += length) < 0) *start = 0;
}

Py_ssize_t str_search(PyObject *s, PyObject *sub, Py_ssize_t start, Py_ssize_t end, int direction);  /* -1 no, -2 exception */

/* ---- methods, in the files of their themes --------------------------------------------------------------------- */

extern PyMethodDef str_methods[];
PyObject *str_percent(PyObject *format, PyObject *args);                  /* PyUnicode_Format after its checks */
PyObject *str_iter(PyObject *s);

/* ---- error handlers of codecs (unicode_errors.c) ---------------------------------------------------------------- */

typedef enum ErrorHandler {
    ERRORS_UNKNOWN, ERRORS_STRICT, ERRORS_IGNORE, ERRORS_REPLACE, ERRORS_BACKSLASHREPLACE, ERRORS_SURROGATEESCAPE,
    ERRORS_SURROGATEPASS, ERRORS_XMLCHARREFREPLACE, ERRORS_NAMEREPLACE, ERRORS_OTHER,
} ErrorHandler;

ErrorHandler errors_kind(const char *errors);             /* NULL is strict */

/* The state of one run of a codec; what the handler and exception need is made on first use. Clear with codec_run_clear. */
typedef struct CodecRun {
    const char *encoding, *errors;
    ErrorHandler kind;
    PyObject *handler, *exception;
} CodecRun;

static inline CodecRun codec_run(const char *encoding, const char *errors)
{
    return (CodecRun){ .encoding = encoding, .errors = errors };
}
void codec_run_clear(CodecRun *run);

/* The bytes from start to end of the input cannot be decoded. Returns what stands for them (new), and in *resume where to go
 * on; NULL with an exception. The handler may have replaced the input: input (a Py_buffer-like view) is updated. */
typedef struct DecodeInput {
    const char *start, *end;
    PyObject *replaced;                                    /* owned: the bytes a handler put in place */
} DecodeInput;
PyObject *codec_decode_error(CodecRun *run, const char *reason, DecodeInput *input, Py_ssize_t start, Py_ssize_t end, Py_ssize_t *resume);

/* The characters from start to end of s cannot be encoded. Returns str or bytes (new) and *resume, or NULL. */
PyObject *codec_encode_error(CodecRun *run, const char *reason, PyObject *s, Py_ssize_t start, Py_ssize_t end, Py_ssize_t *resume);
void codec_raise_encode_error(CodecRun *run, const char *reason, PyObject *s, Py_ssize_t start, Py_ssize_t end);

#endif
