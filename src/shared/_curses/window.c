/* _curses.window: one WINDOW each.
 *
 * A sub-window keeps its parent alive, because the library frees no window that has any. Most methods end in one call of the library
 * and report its ERR under the name that CPython gives it. */
#include "curses_private.h"

#include <langinfo.h>
#include <stdio.h>
#include <string.h>

#define SELF ((PyCursesWindowObject *)self)
#define WIN WINDOW_OF(self)

const char *curses_encoding_of_locale(void)
{
    const char *codeset = nl_langinfo(CODESET);
    return codeset && *codeset ? codeset : "utf-8";
}

static char *copy_text(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = PyMem_Malloc(size);
    return copy ? memcpy(copy, text, size) : (char *)PyErr_NoMemory();
}

PyObject *window_new(WINDOW *win, const char *encoding, PyCursesWindowObject *parent)
{
    PyCursesWindowObject *window = PyObject_New(PyCursesWindowObject, &window_type);
    if (!window) {
        if (win != stdscr) delwin(win);
        return NULL;
    }
    window->win = win;
    window->orig = (PyCursesWindowObject *)Py_XNewRef(parent);
    window->encoding = copy_text(encoding ? encoding : curses_encoding_of_locale());
    if (!window->encoding) Py_CLEAR(window);
    return (PyObject *)window;
}

static void window_dealloc(PyObject *self)
{
    if (WIN && WIN != stdscr) delwin(WIN);
    PyMem_Free(SELF->encoding);
    Py_XDECREF(SELF->orig);
    PyObject_Free(self);
}

static PyObject *window_or_null(WINDOW *win, PyObject *parent)
{
    PyCursesWindowObject *p = (PyCursesWindowObject *)parent;
    return win ? window_new(win, p->encoding, p) : curses_null();
}

/* ---- arguments --------------------------------------------------------------------------------------------------------------- */

static int int_at(PyObject *args, Py_ssize_t i, int *value) { return PyArg_Parse(PyTuple_GET_ITEM(args, i), "i", value) ? 0 : -1; }

/* -1 with TypeError unless args has between low and high items, of which the list of allowed numbers has this one. */
static int count_check(PyObject *args, const char *name, int low, int high, unsigned allowed)
{
    Py_ssize_t n = PyTuple_GET_SIZE(args);
    if (n <= high && (allowed >> n & 1)) return 0;
    PyErr_Format(PyExc_TypeError, "_curses.window.%s requires %d to %d arguments", name, low, high);
    return -1;
}

/* [y, x,] object, [n,] [attr]: what was given of y, x and of attr. */
typedef struct Given {
    bool place, attributes;
    int y, x, n;
    long attr;
    PyObject *object;
} Given;

static int given_read(PyObject *args, const char *name, bool counted, Given *g)
{
    int base = 1 + counted;
    if (count_check(args, name, base, base + 3, 15u << base) < 0) return -1;
    int more = (int)PyTuple_GET_SIZE(args) - base, i = 0;
    *g = (Given){ .place = more >= 2, .attributes = more & 1, .n = -1, .attr = (long)A_NORMAL };
    if (g->place && (int_at(args, i++, &g->y) < 0 || int_at(args, i++, &g->x) < 0)) return -1;
    g->object = PyTuple_GET_ITEM(args, i++);
    if (counted && int_at(args, i++, &g->n) < 0) return -1;
    return g->attributes && !PyArg_Parse(PyTuple_GET_ITEM(args, i), "l", &g->attr) ? -1 : 0;
}

/* [y, x]: 1 when given, 0, -1. */
static int place_read(PyObject *args, const char *name, int *y, int *x)
{
    if (count_check(args, name, 0, 2, 1u << 0 | 1u << 2) < 0) return -1;
    if (!PyTuple_GET_SIZE(args)) return 0;
    return int_at(args, 0, y) < 0 || int_at(args, 1, x) < 0 ? -1 : 1;
}

/* count ints, or none: 1, 0, -1. */
static int ints_read(PyObject *args, Py_ssize_t first, int *values, int count)
{
    for (int i = 0; i < count; i++)
        if (int_at(args, first + i, &values[i]) < 0) return -1;
    return 0;
}

/* ---- writing ----------------------------------------------------------------------------------------------------------------- */

VARARGS_DOC(window, addch, "addch([y, x,] ch, [attr=_curses.A_NORMAL])\nPut a character at the place, or at the cursor, over what is there.")
{
    Given g;
    chtype ch;
    wchar_t wide[2];
    if (given_read(args, "addch", false, &g) < 0) return NULL;
    int kind = curses_to_char(SELF, g.object, &ch, wide);
    if (kind < 0) return NULL;
    if (kind == TEXT_BYTE) {
        ch |= (attr_t)g.attr;
        return curses_check(g.place ? mvwaddch(WIN, g.y, g.x, ch) : waddch(WIN, ch), "addch");
    }
    cchar_t cell;
    if (setcchar(&cell, wide, (attr_t)g.attr, (short)PAIR_NUMBER(g.attr), NULL) == ERR) {
        curses_complain("setcchar() returned ERR");
        return NULL;
    }
    return curses_check(g.place ? mvwadd_wch(WIN, g.y, g.x, &cell) : wadd_wch(WIN, &cell), "add_wch");
}

/* The four methods that write texts; attributes that are given hold for this one. */
typedef struct TextWriter {
    const char *method, *narrow_name, *wide_name;
    int (*narrow)(WINDOW *, const char *, int);
    int (*wide)(WINDOW *, const wchar_t *, int);
} TextWriter;

static PyObject *text_write(PyObject *self, PyObject *args, bool counted, const TextWriter *w)
{
    Given g;
    const char *bytes = NULL;
    wchar_t *wide = NULL;
    if (given_read(args, w->method, counted, &g) < 0) return NULL;
    int kind = curses_to_text(g.object, &bytes, &wide);
    if (kind < 0) return NULL;
    attr_t before = A_NORMAL;
    if (g.attributes) {
        before = (attr_t)getattrs(WIN);
        (void)wattrset(WIN, (int)g.attr);
    }
    int status = g.place ? wmove(WIN, g.y, g.x) : OK;
    if (status != ERR) status = kind == TEXT_WIDE ? w->wide(WIN, wide, g.n) : w->narrow(WIN, bytes, g.n);
    if (g.attributes) (void)wattrset(WIN, (int)before);
    PyMem_Free(wide);
    return curses_check(status, kind == TEXT_WIDE ? w->wide_name : w->narrow_name);
}

VARARGS_DOC(window, addstr, "addstr([y, x,] str, [attr])\nPut a text at the place, or at the cursor, over what is there.")
{
    return text_write(self, args, false, &(TextWriter){ "addstr", "addstr", "addwstr", waddnstr, waddnwstr });
}

VARARGS_DOC(window, addnstr, "addnstr([y, x,] str, n, [attr])\nPut n characters of a text at most at the place, or at the cursor.")
{
    return text_write(self, args, true, &(TextWriter){ "addnstr", "addnstr", "addnwstr", waddnstr, waddnwstr });
}

VARARGS_DOC(window, insstr, "insstr([y, x,] str, [attr])\nPut a text before the place, or before the cursor, moving the rest of the line.")
{
    return text_write(self, args, false, &(TextWriter){ "insstr", "insstr", "inswstr", winsnstr, wins_nwstr });
}

VARARGS_DOC(window, insnstr, "insnstr([y, x,] str, n, [attr])\nPut n characters of a text at most before the place, moving the rest of the line.")
{
    return text_write(self, args, true, &(TextWriter){ "insnstr", "insnstr", "insn_wstr", winsnstr, wins_nwstr });
}

VARARGS_DOC(window, insch, "insch([y, x,] ch, [attr=_curses.A_NORMAL])\nPut a character before the place, moving the rest of the line.")
{
    Given g;
    chtype ch;
    if (given_read(args, "insch", false, &g) < 0 || curses_to_chtype(SELF, g.object, &ch) < 0) return NULL;
    ch |= (attr_t)g.attr;
    return curses_check(g.place ? mvwinsch(WIN, g.y, g.x, ch) : winsch(WIN, ch), "insch");
}

static int attr_of(PyObject *given, long *attr)
{
    *attr = (long)A_NORMAL;
    return given && (*attr = PyLong_AsLong(given)) == -1 && PyErr_Occurred() ? -1 : 0;
}

/* (ch, attr) of the methods without a place. */
static int cell_read(PyObject *self, PyObject *const *arg, chtype *cell)
{
    long attr;
    if (attr_of(arg[1], &attr) < 0 || curses_to_chtype(SELF, arg[0], cell) < 0) return -1;
    *cell |= (attr_t)attr;
    return 0;
}

BUILTIN(window, echochar, POSITIONAL, "($self, ch, attr=_curses.A_NORMAL, /)", "Put a character at the cursor and show it.")
{
    chtype cell;
    if (cell_read(self, arg, &cell) < 0) return NULL;
    return curses_check(is_pad(WIN) ? pechochar(WIN, cell) : wechochar(WIN, cell), "echochar");
}

BUILTIN(window, bkgd, POSITIONAL, "($self, ch, attr=_curses.A_NORMAL, /)", "Give the window another background, also where it has been written.")
{
    chtype cell;
    if (cell_read(self, arg, &cell) < 0) return NULL;
    return curses_check(wbkgd(WIN, cell), "bkgd");
}

BUILTIN(window, bkgdset, POSITIONAL, "($self, ch, attr=_curses.A_NORMAL, /)", "Give the window another background for what is written from now on.")
{
    chtype cell;
    if (cell_read(self, arg, &cell) < 0) return NULL;
    wbkgdset(WIN, cell);
    Py_RETURN_NONE;
}

static int attr_read(PyObject *arg, attr_t *attr)
{
    long value = PyLong_AsLong(arg);
    *attr = (attr_t)value;
    return value == -1 && PyErr_Occurred() ? -1 : 0;
}

BUILTIN_O(window, attroff, "($self, attr, /)", "Take attr out of the attributes of what is written.")
{
    attr_t attr;
    return attr_read(arg, &attr) < 0 ? NULL : curses_check(wattr_off(WIN, attr, NULL), "attroff");
}

BUILTIN_O(window, attron, "($self, attr, /)", "Add attr to the attributes of what is written.")
{
    attr_t attr;
    return attr_read(arg, &attr) < 0 ? NULL : curses_check(wattr_on(WIN, attr, NULL), "attron");
}

BUILTIN_O(window, attrset, "($self, attr, /)", "Make attr the attributes of what is written.")
{
    attr_t attr;
    return attr_read(arg, &attr) < 0 ? NULL : curses_check(wattrset(WIN, (int)attr), "attrset");
}

VARARGS(window, chgat)
{
    int y, x, n = -1;
    long attr = (long)A_NORMAL;
    bool place = false;
    switch (PyTuple_GET_SIZE(args)) {
    case 1: if (!PyArg_ParseTuple(args, "l;attr", &attr)) return NULL;
        break;
    case 2: if (!PyArg_ParseTuple(args, "il;n,attr", &n, &attr)) return NULL;
        break;
    case 3: if (!PyArg_ParseTuple(args, "iil;int,int,attr", &y, &x, &attr)) return NULL;
        place = true;
        break;
    case 4: if (!PyArg_ParseTuple(args, "iiil;int,int,n,attr", &y, &x, &n, &attr)) return NULL;
        place = true;
        break;
    default:
        PyErr_SetString(PyExc_TypeError, "chgat requires 1 to 4 arguments");
        return NULL;
    }
    short color = (short)PAIR_NUMBER(attr);
    attr &= (long)A_ATTRIBUTES;
    if (!place) getyx(WIN, y, x);
    int status = place ? wmove(WIN, y, x) : OK;
    if (status != ERR) status = wchgat(WIN, n, (attr_t)attr, color, NULL);
    touchline(WIN, y, 1);
    return curses_check(status, "chgat");
}

/* ---- lines and boxes --------------------------------------------------------------------------------------------------------- */

static PyObject *line_draw(PyObject *self, PyObject *args, const char *name, int (*draw)(WINDOW *, chtype, int))
{
    Given g;
    chtype ch;
    if (given_read(args, name, true, &g) < 0 || curses_to_chtype(SELF, g.object, &ch) < 0) return NULL;
    if (g.place && wmove(WIN, g.y, g.x) == ERR) return curses_check(ERR, "wmove");
    return curses_check(draw(WIN, ch | (attr_t)g.attr, g.n), name);
}

VARARGS_DOC(window, hline, "hline([y, x,] ch, n, [attr=_curses.A_NORMAL])\nDraw a line of n characters to the right.") { return line_draw(self, args, "hline", whline); }
VARARGS_DOC(window, vline, "vline([y, x,] ch, n, [attr=_curses.A_NORMAL])\nDraw a line of n characters downwards.") { return line_draw(self, args, "vline", wvline); }

BUILTIN(window, border, POSITIONAL, "($self, ls=_curses.ACS_VLINE, rs=_curses.ACS_VLINE,\n       ts=_curses.ACS_HLINE, bs=_curses.ACS_HLINE,\n"
        "       tl=_curses.ACS_ULCORNER, tr=_curses.ACS_URCORNER,\n       bl=_curses.ACS_LLCORNER, br=_curses.ACS_LRCORNER, /)",
        "Draw a border.\n\nThe characters are those of the left, right, top and bottom side and of the corners; 0 is the usual one.")
{
    chtype ch[8] = {0};
    for (int i = 0; i < 8; i++)
        if (arg[i] && curses_to_chtype(SELF, arg[i], &ch[i]) < 0) return NULL;
    wborder(WIN, ch[0], ch[1], ch[2], ch[3], ch[4], ch[5], ch[6], ch[7]);
    Py_RETURN_NONE;
}

VARARGS_DOC(window, box, "box([verch=0, horch=0])\nDraw a border of one character for the sides and one for top and bottom.")
{
    chtype vertical = 0, horizontal = 0;
    if (count_check(args, "box", 0, 2, 1u << 0 | 1u << 2) < 0) return NULL;
    if (PyTuple_GET_SIZE(args) && (curses_to_chtype(SELF, PyTuple_GET_ITEM(args, 0), &vertical) < 0 ||
                                   curses_to_chtype(SELF, PyTuple_GET_ITEM(args, 1), &horizontal) < 0)) return NULL;
    wborder(WIN, vertical, vertical, horizontal, horizontal, 0, 0, 0, 0);
    Py_RETURN_NONE;
}

/* ---- without arguments ------------------------------------------------------------------------------------------------------- */

#define PLAIN(method, function) \
    BUILTIN_NOARGS(window, method, "($self, /)", "") { return curses_check(function(WIN), #function); }
#define PLAIN_VOID(method, function) \
    BUILTIN_NOARGS(window, method, "($self, /)", "") { function(WIN); Py_RETURN_NONE; }
#define PAIR(method)                                                \
    BUILTIN_NOARGS(window, method, "($self, /)", "")                \
    {                                                               \
        int y, x;                                                   \
        method(WIN, y, x);                                          \
        return Py_BuildValue("(ii)", y, x);                         \
    }

PLAIN(untouchwin, untouchwin)
PLAIN(touchwin, touchwin)
PLAIN(redrawwin, redrawwin)
PLAIN(insertln, winsertln)
PLAIN(erase, werase)
PLAIN(deleteln, wdeleteln)
PLAIN_VOID(syncup, wsyncup)
PLAIN_VOID(syncdown, wsyncdown)
PLAIN_VOID(standend, wstandend)
PLAIN_VOID(standout, wstandout)
PLAIN_VOID(cursyncup, wcursyncup)
PLAIN_VOID(clrtoeol, wclrtoeol)
PLAIN_VOID(clrtobot, wclrtobot)
PLAIN_VOID(clear, wclear)
PAIR(getyx)
PAIR(getbegyx)
PAIR(getmaxyx)
PAIR(getparyx)
BUILTIN_NOARGS(window, is_wintouched, "($self, /)", "") { return PyBool_FromLong(is_wintouched(WIN)); }
BUILTIN_NOARGS(window, getbkgd, "($self, /)", "Return the background, a character with attributes.") { return PyLong_FromLong((long)getbkgd(WIN)); }

/* ---- one or two ints --------------------------------------------------------------------------------------------------------- */

#define SWITCH(method)                                                                         \
    VARARGS(window, method)                                                                    \
    {                                                                                          \
        int on;                                                                                \
        if (!PyArg_ParseTuple(args, "i;True(1) or False(0)", &on)) return NULL;                \
        return curses_check(method(WIN, on != 0), #method);                                    \
    }
#define SWITCH_VOID(method)                                                                    \
    VARARGS(window, method)                                                                    \
    {                                                                                          \
        int on;                                                                                \
        if (!PyArg_ParseTuple(args, "i;True(1) or False(0)", &on)) return NULL;                \
        method(WIN, on != 0);                                                                  \
        Py_RETURN_NONE;                                                                        \
    }
#define TWO_INTS(method, function, format)                                                     \
    VARARGS(window, method)                                                                    \
    {                                                                                          \
        int first, second;                                                                     \
        if (!PyArg_ParseTuple(args, format, &first, &second)) return NULL;                     \
        return curses_check(function(WIN, first, second), #function);                          \
    }

SWITCH_VOID(idcok)
SWITCH_VOID(immedok)
SWITCH(clearok)
SWITCH(idlok)
SWITCH(keypad)
SWITCH(leaveok)
SWITCH(nodelay)
SWITCH(notimeout)
SWITCH(scrollok)
SWITCH(syncok)
TWO_INTS(mvwin, mvwin, "ii;y,x")
TWO_INTS(mvderwin, mvderwin, "ii;y,x")
TWO_INTS(move, wmove, "ii;y,x")
TWO_INTS(resize, wresize, "ii;lines,columns")

VARARGS(window, timeout)
{
    int delay;
    if (!PyArg_ParseTuple(args, "i;delay", &delay)) return NULL;
    wtimeout(WIN, delay);
    Py_RETURN_NONE;
}

VARARGS(window, insdelln)
{
    int lines;
    if (!PyArg_ParseTuple(args, "i;nlines", &lines)) return NULL;
    return curses_check(winsdelln(WIN, lines), "winsdelln");
}

static int two_ints(PyObject *const *arg, int *first, int *second)
{
    if ((*first = PyLong_AsInt(arg[0])) == -1 && PyErr_Occurred()) return -1;
    return (*second = PyLong_AsInt(arg[1])) == -1 && PyErr_Occurred() ? -1 : 0;
}

BUILTIN(window, enclose, POSITIONAL, "($self, y, x, /)", "Tell whether the place, on the screen, is within the window.")
{
    int y, x;
    return two_ints(arg, &y, &x) < 0 ? NULL : PyBool_FromLong(wenclose(WIN, y, x));
}

BUILTIN(window, redrawln, POSITIONAL, "($self, beg, num, /)", "Show num lines from beg on entirely at the next refresh.")
{
    int begin, count;
    return two_ints(arg, &begin, &count) < 0 ? NULL : curses_check(wredrawln(WIN, begin, count), "redrawln");
}

BUILTIN(window, setscrreg, POSITIONAL, "($self, top, bottom, /)", "Choose the lines that scroll.")
{
    int top, bottom;
    return two_ints(arg, &top, &bottom) < 0 ? NULL : curses_check(wsetscrreg(WIN, top, bottom), "wsetscrreg");
}

BUILTIN_O(window, is_linetouched, "($self, line, /)", "Tell whether a line has changed since the last refresh.")
{
    int line = PyLong_AsInt(arg);
    if (line == -1 && PyErr_Occurred()) return NULL;
    if (line >= 0 && line < getmaxy(WIN)) return PyBool_FromLong(is_linetouched(WIN, line));     /* whose own ERR is a bool, and lost */
    PyErr_SetString(PyExc_TypeError, "is_linetouched: line number outside of boundaries");
    return NULL;
}

VARARGS_DOC(window, scroll, "scroll([lines=1])\nScroll upwards, or downwards by a negative number of lines.")
{
    int lines = 1;
    if (count_check(args, "scroll", 0, 1, 3) < 0 || (PyTuple_GET_SIZE(args) && int_at(args, 0, &lines) < 0)) return NULL;
    return curses_check(wscrl(WIN, lines), "scroll");
}

VARARGS_DOC(window, touchline, "touchline(start, count, [changed=True])\nTake count lines from start on for changed, or for not changed.")
{
    int start, count, changed = 1;
    if (count_check(args, "touchline", 2, 3, 1u << 2 | 1u << 3) < 0 || int_at(args, 0, &start) < 0 || int_at(args, 1, &count) < 0) return NULL;
    if (PyTuple_GET_SIZE(args) == 3 && (changed = PyObject_IsTrue(PyTuple_GET_ITEM(args, 2))) < 0) return NULL;
    return curses_check(wtouchln(WIN, start, count, changed), "touchline");
}

/* ---- reading ----------------------------------------------------------------------------------------------------------------- */

VARARGS_DOC(window, delch, "delch([y, x])\nTake out the character at the place, or at the cursor.")
{
    int y, x, place = place_read(args, "delch", &y, &x);
    if (place < 0) return NULL;
    return curses_check(place ? mvwdelch(WIN, y, x) : wdelch(WIN), place ? "mvwdelch" : "wdelch");
}

VARARGS_DOC(window, inch, "inch([y, x])\nReturn the character at the place, or at the cursor, with its attributes.")
{
    int y, x, place = place_read(args, "inch", &y, &x);
    if (place < 0) return NULL;
    return PyLong_FromUnsignedLong(place ? mvwinch(WIN, y, x) : winch(WIN));
}

/* A key, as wgetch() says it. -2 with an exception of arguments. */
static int key_read(PyObject *self, PyObject *args, const char *name)
{
    int y, x, key, place = place_read(args, name, &y, &x);
    if (place < 0) return -2;
    Py_BEGIN_ALLOW_THREADS
    key = place ? mvwgetch(WIN, y, x) : wgetch(WIN);
    Py_END_ALLOW_THREADS
    return key;
}

/* Nothing was typed: the exception of a signal's handler, or curses.error. */
static PyObject *no_input(void)
{
    if (PyErr_CheckSignals() == 0 && !PyErr_Occurred()) curses_complain("no input");
    return NULL;
}

VARARGS_DOC(window, getch, "getch([y, x])\nReturn the number of the key that is typed, -1 when there is none and no time to wait.")
{
    int key = key_read(self, args, "getch");
    return key == -2 ? NULL : PyLong_FromLong(key);
}

VARARGS_DOC(window, getkey, "getkey([y, x])\nReturn the key that is typed, by its name when it is no character.")
{
    int key = key_read(self, args, "getkey");
    if (key == -2) return NULL;
    if (key == ERR) return no_input();
    if (key <= 255) return PyUnicode_FromOrdinal(key);
    const char *name = keyname(key);
    return PyUnicode_FromString(name ? name : "");
}

VARARGS_DOC(window, get_wch, "get_wch([y, x])\nReturn the character that is typed, or the number of a key that is none.")
{
    int y, x, status, place = place_read(args, "get_wch", &y, &x);
    wint_t wide = 0;
    if (place < 0) return NULL;
    Py_BEGIN_ALLOW_THREADS
    status = place ? mvwget_wch(WIN, y, x, &wide) : wget_wch(WIN, &wide);
    Py_END_ALLOW_THREADS
    if (status == ERR) return no_input();
    return status == KEY_CODE_YES ? PyLong_FromLong((long)wide) : PyUnicode_FromOrdinal((int)wide);
}

enum { LINE_MOST = 1023 };

/* ([y, x,] [n]) of getstr and instr: 1 with a place, 0 without, -1. */
static int line_arguments(PyObject *args, const char *complaint, int *y, int *x, int *n)
{
    int place = 0;
    *n = LINE_MOST;
    switch (PyTuple_GET_SIZE(args)) {
    case 0: return 0;
    case 1: if (!PyArg_ParseTuple(args, "i;n", n)) return -1;
        break;
    case 2: return PyArg_ParseTuple(args, "ii;y,x", y, x) ? 1 : -1;
    case 3: if (!PyArg_ParseTuple(args, "iii;y,x,n", y, x, n)) return -1;
        place = 1;
        break;
    default: PyErr_SetString(PyExc_TypeError, complaint);
        return -1;
    }
    if (*n < 0) {
        PyErr_SetString(PyExc_ValueError, "'n' must be nonnegative");
        return -1;
    }
    if (*n > LINE_MOST) *n = LINE_MOST;
    return place;
}

VARARGS(window, getstr)
{
    int y, x, n, status, place = line_arguments(args, "getstr requires 0 to 3 arguments", &y, &x, &n);
    char line[LINE_MOST + 1];
    if (place < 0) return NULL;
    Py_BEGIN_ALLOW_THREADS
    status = place ? mvwgetnstr(WIN, y, x, line, n) : wgetnstr(WIN, line, n);
    Py_END_ALLOW_THREADS
    if (status == ERR) line[0] = 0;
    return PyBytes_FromString(line);
}

VARARGS(window, instr)
{
    int y, x, n, place = line_arguments(args, "instr requires 0 or 3 arguments", &y, &x, &n);
    char line[LINE_MOST + 1];
    if (place < 0) return NULL;
    int status = place ? mvwinnstr(WIN, y, x, line, n) : winnstr(WIN, line, n);
    if (status == ERR) line[0] = 0;
    return PyBytes_FromString(line);
}

/* ---- showing ----------------------------------------------------------------------------------------------------------------- */

/* The six places of a pad on the screen: 1 when given, 0 when not, and rightly so; -1. */
static int view_read(PyObject *self, PyObject *args, const char *name, const char *complaint, int *view)
{
    if (count_check(args, name, 0, 6, 1u << 0 | 1u << 6) < 0) return -1;
    int given = PyTuple_GET_SIZE(args) != 0;
    if (given && ints_read(args, 0, view, 6) < 0) return -1;
    if (given == is_pad(WIN)) return given;
    if (given) PyErr_Format(PyExc_TypeError, "%s() takes no arguments (6 given)", name);
    else curses_complain(complaint);
    return -1;
}

VARARGS_DOC(window, refresh, "refresh([pminrow, pmincol, sminrow, smincol, smaxrow, smaxcol])\nShow the window; of a pad, the given part at the given place.")
{
    int v[6], status, given = view_read(self, args, "refresh", "refresh() for a pad requires 6 arguments", v);
    if (given < 0) return NULL;
    Py_BEGIN_ALLOW_THREADS
    status = given ? prefresh(WIN, v[0], v[1], v[2], v[3], v[4], v[5]) : wrefresh(WIN);
    Py_END_ALLOW_THREADS
    return curses_check(status, given ? "prefresh" : "wrefresh");
}

VARARGS_DOC(window, noutrefresh, "noutrefresh([pminrow, pmincol, sminrow, smincol, smaxrow, smaxcol])\nMark the window to be shown by doupdate(); of a pad, a part.")
{
    int v[6], status, given = view_read(self, args, "noutrefresh", "noutrefresh() called for a pad requires 6 arguments", v);
    if (given < 0) return NULL;
    Py_BEGIN_ALLOW_THREADS
    status = given ? pnoutrefresh(WIN, v[0], v[1], v[2], v[3], v[4], v[5]) : wnoutrefresh(WIN);
    Py_END_ALLOW_THREADS
    return curses_check(status, given ? "pnoutrefresh" : "wnoutrefresh");
}

static PyObject *copy_over(PyObject *self, PyObject *args, const char *name, int (*whole)(const WINDOW *, WINDOW *), int transparent)
{
    int v[6];
    if (count_check(args, name, 1, 7, 1u << 1 | 1u << 7) < 0) return NULL;
    PyObject *other = PyTuple_GET_ITEM(args, 0);
    if (!Py_IS_TYPE(other, &window_type)) {
        PyErr_Format(PyExc_TypeError, "%s() argument 1 must be _curses.window, not %.50s", name, other == Py_None ? "None" : Py_TYPE(other)->tp_name);
        return NULL;
    }
    if (PyTuple_GET_SIZE(args) == 1) return curses_check(whole(WIN, WINDOW_OF(other)), name);
    if (ints_read(args, 1, v, 6) < 0) return NULL;
    return curses_check(copywin(WIN, WINDOW_OF(other), v[0], v[1], v[2], v[3], v[4], v[5], transparent), "copywin");
}

VARARGS_DOC(window, overlay, "overlay(destwin, [sminrow, smincol, dminrow, dmincol, dmaxrow, dmaxcol])\nCopy to another window what is not blank.") { return copy_over(self, args, "overlay", overlay, TRUE); }
VARARGS_DOC(window, overwrite, "overwrite(destwin, [sminrow, smincol, dminrow, dmincol, dmaxrow,\n          dmaxcol])\nCopy to another window.") { return copy_over(self, args, "overwrite", overwrite, FALSE); }

/* ---- windows within -------------------------------------------------------------------------------------------------------- */

/* ([lines, columns,] y, x) */
static int part_read(PyObject *args, const char *name, int *v)
{
    v[0] = v[1] = 0;
    if (count_check(args, name, 2, 4, 1u << 2 | 1u << 4) < 0) return -1;
    return PyTuple_GET_SIZE(args) == 2 ? ints_read(args, 0, v + 2, 2) : ints_read(args, 0, v, 4);
}

VARARGS_DOC(window, derwin, "derwin([nlines=0, ncols=0,] begin_y, begin_x)\nMake a window within this one, at a place of it.")
{
    int v[4];
    return part_read(args, "derwin", v) < 0 ? NULL : window_or_null(derwin(WIN, v[0], v[1], v[2], v[3]), self);
}

VARARGS_DOC(window, subwin, "subwin([nlines=0, ncols=0,] begin_y, begin_x)\nMake a window within this one, at a place of the screen.")
{
    int v[4];
    if (part_read(args, "subwin", v) < 0) return NULL;
    return window_or_null(is_pad(WIN) ? subpad(WIN, v[0], v[1], v[2], v[3]) : subwin(WIN, v[0], v[1], v[2], v[3]), self);
}

/* ---- files ------------------------------------------------------------------------------------------------------------------- */

BUILTIN_O(window, putwin, "($self, file, /)", "Write the window to a file, for getwin().")
{
    FILE *fp = tmpfile();
    if (!fp) return PyErr_SetFromErrno(PyExc_OSError);
    PyObject *result = curses_check(putwin(WIN, fp), "putwin");
    if (result) rewind(fp);
    while (result) {
        char part[BUFSIZ];
        size_t n = fread(part, 1, sizeof part, fp);
        if (!n) break;
        Py_SETREF(result, PyObject_CallMethod(arg, "write", "y#", part, (Py_ssize_t)n));
    }
    fclose(fp);
    return result;                            /* of the last write() */
}

/* ---- the type ---------------------------------------------------------------------------------------------------------------- */

static PyObject *window_get_encoding(PyObject *self, void *closure) { return PyUnicode_FromString(SELF->encoding); }

static int window_set_encoding(PyObject *self, PyObject *value, void *closure)
{
    if (!value || !PyUnicode_Check(value)) {
        PyErr_SetString(PyExc_TypeError, value ? "setting encoding to a non-string" : "encoding may not be deleted");
        return -1;
    }
    PyObject *ascii = PyUnicode_AsASCIIString(value);
    char *copy = ascii ? copy_text(PyBytes_AS_STRING(ascii)) : NULL;
    Py_XDECREF(ascii);
    if (!copy) return -1;
    PyMem_Free(SELF->encoding);
    SELF->encoding = copy;
    return 0;
}

static PyGetSetDef window_getsets[] = {
    { "encoding", window_get_encoding, window_set_encoding, "the encoding of characters that are written as bytes" }, {0}
};

static PyMethodDef window_methods[] = {
    METHOD(window, addch), METHOD(window, addnstr), METHOD(window, addstr), METHOD(window, attroff), METHOD(window, attron), METHOD(window, attrset),
    METHOD(window, bkgd), METHOD(window, bkgdset), METHOD(window, border), METHOD(window, box), METHOD_UNDOCUMENTED(window, chgat),
    METHOD_UNDOCUMENTED(window, clear), METHOD_UNDOCUMENTED(window, clearok), METHOD_UNDOCUMENTED(window, clrtobot),
    METHOD_UNDOCUMENTED(window, clrtoeol), METHOD_UNDOCUMENTED(window, cursyncup), METHOD(window, delch), METHOD_UNDOCUMENTED(window, deleteln),
    METHOD(window, derwin), METHOD(window, echochar), METHOD(window, enclose), METHOD_UNDOCUMENTED(window, erase),
    METHOD_UNDOCUMENTED(window, getbegyx), METHOD(window, getbkgd), METHOD(window, getch), METHOD(window, getkey), METHOD(window, get_wch),
    METHOD_UNDOCUMENTED(window, getmaxyx), METHOD_UNDOCUMENTED(window, getparyx), METHOD_UNDOCUMENTED(window, getstr),
    METHOD_UNDOCUMENTED(window, getyx), METHOD(window, hline), METHOD_UNDOCUMENTED(window, idcok), METHOD_UNDOCUMENTED(window, idlok),
    METHOD_UNDOCUMENTED(window, immedok), METHOD(window, inch), METHOD(window, insch), METHOD_UNDOCUMENTED(window, insdelln),
    METHOD_UNDOCUMENTED(window, insertln), METHOD(window, insnstr), METHOD(window, insstr), METHOD_UNDOCUMENTED(window, instr),
    METHOD(window, is_linetouched), METHOD_UNDOCUMENTED(window, is_wintouched), METHOD_UNDOCUMENTED(window, keypad),
    METHOD_UNDOCUMENTED(window, leaveok), METHOD_UNDOCUMENTED(window, move), METHOD_UNDOCUMENTED(window, mvderwin),
    METHOD_UNDOCUMENTED(window, mvwin), METHOD_UNDOCUMENTED(window, nodelay), METHOD_UNDOCUMENTED(window, notimeout), METHOD(window, noutrefresh),
    METHOD(window, overlay), METHOD(window, overwrite), METHOD(window, putwin), METHOD(window, redrawln), METHOD_UNDOCUMENTED(window, redrawwin),
    METHOD(window, refresh), METHOD_UNDOCUMENTED(window, resize), METHOD(window, scroll), METHOD_UNDOCUMENTED(window, scrollok),
    METHOD(window, setscrreg), METHOD_UNDOCUMENTED(window, standend), METHOD_UNDOCUMENTED(window, standout),
    { "subpad", window_subwin, METH_VARARGS, window_subwin_doc }, METHOD(window, subwin), METHOD_UNDOCUMENTED(window, syncdown),
    METHOD_UNDOCUMENTED(window, syncok), METHOD_UNDOCUMENTED(window, syncup), METHOD_UNDOCUMENTED(window, timeout), METHOD(window, touchline),
    METHOD_UNDOCUMENTED(window, touchwin), METHOD_UNDOCUMENTED(window, untouchwin), METHOD(window, vline), {0}
};

PyTypeObject window_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "_curses.window", .tp_basicsize = sizeof(PyCursesWindowObject), .tp_dealloc = window_dealloc,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, .tp_methods = window_methods, .tp_getset = window_getsets,
};
