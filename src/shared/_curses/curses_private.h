/* What the files of _curses share.
 *
 * ncurses is one for the process and keeps most of the state itself: the screen, the terminal, the colours. The module's state
 * remembers what was called, which its functions demand of each other; it is found by PyState_FindModule(), because neither the
 * methods of the window type, which is static as the C API of the module wants it, nor that API's functions are given the module. */
#ifndef TAIPAN_CURSES_PRIVATE_H
#define TAIPAN_CURSES_PRIVATE_H

#include "capi/args.h"

#define NCURSES_NOMACROS                      /* functions that are functions: their names are those of methods here */
#define CURSES_MODULE
#include <py_curses.h>
#include <wchar.h>

typedef struct CursesState {
    PyObject *error;
    bool terminal_set, screen_made, colors_started;      /* by setupterm(), initscr(), start_color() */
    char *encoding;                           /* of the window that initscr() gave, PyMem_Malloc'ed; NULL before */
} CursesState;

CursesState *curses_state(void);              /* NULL when there is no module */
PyObject *curses_error_type(void);            /* borrowed */

/* None, or curses.error when code is ERR: "name() returned ERR". */
PyObject *curses_check(int code, const char *name);
PyObject *curses_null(void);                  /* curses.error: a NULL came back */
void curses_complain(const char *text);       /* curses.error */

/* 0 with curses.error when what must come first has not been called. */
int curses_need_terminal(void);
int curses_need_screen(void);
int curses_need_colors(void);

#define WINDOW_OF(o) (((PyCursesWindowObject *)(o))->win)
extern PyTypeObject window_type;
PyObject *window_new(WINDOW *win, const char *encoding, PyCursesWindowObject *parent);   /* takes over win */
const char *curses_encoding_of_locale(void);

/* Characters and texts. window is NULL where none is involved. 0, or -1 with an exception. */
int curses_to_chtype(PyCursesWindowObject *window, PyObject *o, chtype *ch);
int curses_to_wchar(PyObject *o, wchar_t *wide);
enum { TEXT_BYTE = 1, TEXT_WIDE = 2 };
/* One of the two is filled in, as the result says; -1 with an exception. */
int curses_to_char(PyCursesWindowObject *window, PyObject *o, chtype *ch, wchar_t *wide);
/* As above; the wide one is to be freed with PyMem_Free, the other lives as long as o. */
int curses_to_text(PyObject *o, const char **bytes, wchar_t **wide);

int terminal_set_up(const char *term, int fd, int *code);

/* Methods with optional arguments in front, which take a tuple. */
#define VARARGS(owner, name_)                                 \
    enum { owner##_##name_##_flags = METH_VARARGS };          \
    static PyObject *owner##_##name_(PyObject *self, PyObject *args)
#define VARARGS_DOC(owner, name_, text)                       \
    static const char owner##_##name_##_doc[] = text;         \
    VARARGS(owner, name_)

#endif
