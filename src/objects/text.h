/* What str, bytes and bytearray do alike with their characters: splitting, stripping, partitioning. One implementation over
 * arrays of 1, 2 or 4 byte characters; the type says what a white-space or line-break character is and how a piece is made. */
#ifndef TAIPAN_OBJECTS_TEXT_H
#define TAIPAN_OBJECTS_TEXT_H

#include "taipan.h"

typedef struct Text {
    const void *data;
    Py_ssize_t length;
    int kind;                                               /* bytes a character */
    const uint8_t *traits;                                  /* TEXT_* of the characters below 256 */
    PyObject *whole;                                        /* what an unsplit text gives as its only piece, or NULL */
    PyObject *(*piece)(int kind, const void *p, Py_ssize_t n);
} Text;

enum { TEXT_SPACE = 1, TEXT_BREAK = 2 };

extern const uint8_t text_traits_str[256], text_traits_bytes[256];

/* New lists; max < 0: no limit. sep has the kind of the text, m > 0. */
PyObject *text_split_space(const Text *text, Py_ssize_t max);
PyObject *text_rsplit_space(const Text *text, Py_ssize_t max);
PyObject *text_split(const Text *text, const void *sep, Py_ssize_t m, Py_ssize_t max);
PyObject *text_rsplit(const Text *text, const void *sep, Py_ssize_t m, Py_ssize_t max);
PyObject *text_split_lines(const Text *text, bool keep_ends);

enum { STRIP_LEFT = 1, STRIP_RIGHT = 2, STRIP_BOTH = 3 };
void text_strip_space(const Text *text, int sides, Py_ssize_t *start, Py_ssize_t *end);
/* chars: m characters of chars_kind, any of which is taken off. */
void text_strip_chars(const Text *text, int chars_kind, const void *chars, Py_ssize_t m, int sides, Py_ssize_t *start, Py_ssize_t *end);

/* For (sub[, start[, end]]): 0, or -1 with TypeError. */
int text_find_args(const char *name, PyObject *const *args, Py_ssize_t nargs, Py_ssize_t *start, Py_ssize_t *end);

/* An argument as Py_ssize_t or int through __index__; 0, or -1 with an exception. */
int text_ssize_arg(PyObject *o, Py_ssize_t *value);
int text_int_arg(PyObject *o, int *value);

/* "center() argument 'fillchar' must be str, not int": what o must be, where what names the argument ("argument 1", ...). */
int text_wrong_type(const char *function, const char *argument, const char *expected, PyObject *o);

/* The UTF-8 of a str argument without NUL, or NULL with an exception. */
const char *text_codec_arg(const char *function, const char *argument, PyObject *o);

#endif
