/* str: what the rest of Taipan may call beyond Python.h, and str's part of the state.
 *
 * A str is as PEP 393 lays it out: canonical (the narrowest kind that holds its widest character), immutable once another
 * reference to it exists. Strings of one latin-1 character and the empty string are always the static ones of Process.
 *
 * Start-up order: hash_init (seed known), unicode_init_static (once a process), unicode_init_interp (each interpreter). */
#ifndef TAIPAN_OBJECTS_UNICODE_H
#define TAIPAN_OBJECTS_UNICODE_H

#include "taipan.h"

typedef struct UnicodeProcess {
    uint64_t hash_secret[3];                /* zero with PYTHONHASHSEED=0; str, bytes use the first two, pyexpat the third */
    Py_ssize_t next_id;                     /* of the next _Py_Identifier */
} UnicodeProcess;

typedef struct InternTable {
    PyObject **slots;                       /* open addressing, keyed by the hash in the string; references are not counted */
    size_t mask, used;
} InternTable;

typedef struct UnicodeState {
    InternTable *interned;                  /* under the main interpreter's GIL: one for all, for strings get around there */
    InternTable own_interned;
    char *fs_encoding, *fs_errors;          /* NULL: "utf-8", "surrogateescape" */
    int fs_is_utf8;                         /* 1: utf-8 with surrogateescape and nothing to look up; 0: not; fs_encoding says */
    PyObject *ids;                          /* list of what _PyUnicode_FromId returned, by index */
    PyObject *codec_search_path;            /* list; NULL until the codec registry was needed */
    PyObject *codec_search_cache;           /* dict: normalised encoding name -> codec */
    PyObject *codec_errors;                 /* dict: name -> handler */
} UnicodeState;

/* Seeds the hash of str and bytes: with use_seed 0 from the system's random numbers, else from seed (0 disables). */
void hash_init(int use_seed, unsigned long seed);
void unicode_init_static(void);
int unicode_init_interp(PyInterpreterState *interp);     /* 0, or -1 when there is no memory */
void unicode_fini_codecs(PyInterpreterState *interp);    /* objects that it keeps; they may be in cycles */
void unicode_fini_interp(PyInterpreterState *interp);    /* last: after every object of the interpreter is gone */
/* What PyUnicode_EncodeFSDefault and PyUnicode_DecodeFSDefault use; copies both. 0 or -1 with MemoryError. */
int unicode_set_fs_codec(PyInterpreterState *interp, const char *encoding, const char *errors);

/* SipHash-1-3 of length bytes; never -1; 0 for length 0. What hash(bytes) and hash(str) are. */
PyAPI_FUNC(Py_hash_t) _Py_HashBytes(const void *src, Py_ssize_t length);

Py_hash_t str_hash_slow(PyObject *s);

static inline Py_hash_t str_hash(PyObject *s)            /* of any str, a subclass's data included */
{
    Py_hash_t h = ((PyASCIIObject *)s)->hash;
    return LIKELY(h != -1) ? h : str_hash_slow(s);
}

static inline size_t str_data_size(PyObject *s) { return (size_t)PyUnicode_GET_LENGTH(s) * PyUnicode_KIND(s); }

static inline bool str_equal(PyObject *a, PyObject *b)   /* same characters; both any str */
{
    if (a == b) return true;
    if (PyUnicode_GET_LENGTH(a) != PyUnicode_GET_LENGTH(b) || PyUnicode_KIND(a) != PyUnicode_KIND(b)) return false;
    return memcmp(PyUnicode_DATA(a), PyUnicode_DATA(b), str_data_size(a)) == 0;
}

static inline bool str_is_interned(PyObject *s) { return ((PyASCIIObject *)s)->state.interned != 0; }

bool str_equal_ascii(PyObject *s, const char *ascii);    /* any str, and NUL-terminated ASCII */

/* New references; NULL with MemoryError. */
PyObject *str_from_char(Py_UCS4 ch);                     /* ch <= 0x10ffff */
PyObject *str_from_ascii(const char *ascii, Py_ssize_t n);   /* the caller knows that it is ASCII */
PyObject *str_from_latin1(const Py_UCS1 *chars, Py_ssize_t n);
PyObject *str_from_ucs2(const Py_UCS2 *chars, Py_ssize_t n);
PyObject *str_from_ucs4(const Py_UCS4 *chars, Py_ssize_t n);
Py_ssize_t str_interned_count(PyInterpreterState *interp, bool only_immortal);   /* entries of the interpreter's table */
PyObject *str_join_array(PyObject *separator, PyObject *const *items, Py_ssize_t n);   /* items must be str: else TypeError */
PyObject *str_repr(PyObject *s);
PyObject *str_getitem(PyObject *s, Py_ssize_t i);        /* 0 <= i < length */

/* Decimal digits and white space of any script as ASCII, other non-ASCII characters as '?': what int() and float() read. */
PyObject *str_digits_to_ascii(PyObject *s);

#endif
