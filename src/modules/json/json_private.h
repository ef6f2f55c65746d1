/* _json: what its files share. text.c builds strings, scanner.c reads, encoder.c writes. */
#ifndef TAIPAN_MODULES_JSON_PRIVATE_H
#define TAIPAN_MODULES_JSON_PRIVATE_H

#include "runtime/state.h"
#include "modules/support.h"

#include <string.h>

/* ---- text.c: a str that grows ---------------------------------------------------------------------------------------- */

/* The str is there from the start and has the kind of the widest character so far, so that nothing is copied in the end. */
typedef struct Text {
    PyObject *str;                            /* NULL: nothing yet */
    Py_ssize_t used, room;
    int kind;                                 /* 1, 2, 4 */
    Py_UCS4 max;                              /* 127, 255, 65535 or 0x10ffff: what str can hold */
} Text;

int text_grow(Text *t, Py_ssize_t more);
/* Makes room for `more` characters up to ch. */
int text_widen(Text *t, Py_UCS4 ch, Py_ssize_t more);
int text_put_chars(Text *t, int kind, const void *data, Py_ssize_t n);
PyObject *text_finish(Text *t);               /* NEW, and the text is empty again; NULL with an exception */
static inline void text_drop(Text *t) { Py_CLEAR(t->str); }

/* Room for n characters. */
static ALWAYS_INLINE int text_reserve(Text *t, Py_ssize_t n)
{
    return UNLIKELY(n > t->room - t->used) ? text_grow(t, n) : 0;
}

/* Stores a character that fits; the room is there. */
static ALWAYS_INLINE void text_store(Text *t, Py_UCS4 ch) { PyUnicode_WRITE(t->kind, PyUnicode_DATA(t->str), t->used++, ch); }

static ALWAYS_INLINE int text_put(Text *t, Py_UCS4 ch)
{
    if (UNLIKELY(ch > t->max || t->used == t->room) && text_widen(t, ch, 1) < 0) return -1;
    text_store(t, ch);
    return 0;
}

/* ASCII characters. */
static ALWAYS_INLINE int text_put_ascii(Text *t, const char *chars, Py_ssize_t n)
{
    if (text_reserve(t, n) < 0) return -1;
    if (LIKELY(t->kind == 1)) {
        memcpy((char *)PyUnicode_DATA(t->str) + t->used, chars, (size_t)n);
        t->used += n;
        return 0;
    }
    for (Py_ssize_t i = 0; i < n; i++) text_store(t, (unsigned char)chars[i]);
    return 0;
}

static inline int text_put_str(Text *t, PyObject *s)
{
    if (LIKELY(PyUnicode_IS_ASCII(s))) return text_put_ascii(t, PyUnicode_DATA(s), PyUnicode_GET_LENGTH(s));
    return text_put_chars(t, PyUnicode_KIND(s), PyUnicode_DATA(s), PyUnicode_GET_LENGTH(s));
}

/* ---- where characters need an escape, eight at a time ------------------------------------------------------------------ */

#define BYTES(c) (0x0101010101010101u * (c))

/* The high bit of each byte that is '"', '\\' or below 32. Bits above the lowest one set may be wrong. */
static ALWAYS_INLINE uint64_t special_bytes(uint64_t word)
{
    uint64_t quote = word ^ BYTES('"'), backslash = word ^ BYTES('\\');
    return (((quote - BYTES(1)) & ~quote) | ((backslash - BYTES(1)) & ~backslash) | ((word - BYTES(32)) & ~word)) & BYTES(0x80);
}

/* ---- encoder.c, scanner.c ---------------------------------------------------------------------------------------------- */

typedef struct JsonState { PyTypeObject *scanner_type, *encoder_type; } JsonState;

extern struct PyModuleDef json_module;
extern PyType_Spec scanner_spec, encoder_spec;

PyObject *json_read_string(PyObject *s, Py_ssize_t begin, bool strict, Py_ssize_t *end);

#endif
