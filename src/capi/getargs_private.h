/* Between getargs.c, which converts single arguments, and getargs_keywords.c. */
#ifndef TAIPAN_CAPI_GETARGS_PRIVATE_H
#define TAIPAN_CAPI_GETARGS_PRIVATE_H

#include "taipan.h"

#include <stdarg.h>

enum { ARG_LEVELS = 32, ARG_CLEANUPS = 16, ARG_MESSAGE = 256 };

/* What a later failure must undo: buffers, memory, converters that said so. */
typedef struct ArgCleanup {
    void *item;
    int (*undo)(PyObject *, void *);         /* called with NULL and item */
} ArgCleanup;

typedef struct ArgParse {
    ArgCleanup inline_cleanups[ARG_CLEANUPS], *cleanups;
    int ncleanups, room;
    va_list *targets;
    int levels[ARG_LEVELS];                   /* path of the item in nested tuples, for messages */
    char message[ARG_MESSAGE];
} ArgParse;

void args_parse_begin(ArgParse *parse, va_list *targets);
/* success 0: undoes what was converted. Returns success. */
int args_parse_end(ArgParse *parse, int success);
/* Converts one item of *format and moves past it. NULL, or what was wrong ("must be str, not int"). */
const char *args_convert_item(ArgParse *parse, PyObject *arg, const char **format, int *levels);
/* Turns that into an exception; levels: the path of the item below the argument. position 0: "argument". */
void args_set_error(const int *levels, Py_ssize_t position, const char *wrong, const char *function, const char *message);
static inline bool args_format_end(char c) { return c == 0 || c == ';' || c == ':'; }
static inline bool args_is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

#endif
