/* The _curses module: the functions of the library that belong to no window, and its constants.
 *
 * What must come first (setupterm, initscr, start_color) is checked before the library is called: it would crash, or exit. */
#include "curses_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static PyModuleDef curses_module;

CursesState *curses_state(void)
{
    PyObject *module = PyState_FindModule(&curses_module);
    return module ? PyModule_GetState(module) : NULL;
}

PyObject *curses_error_type(void)
{
    CursesState *state = curses_state();
    return state && state->error ? state->error : PyExc_RuntimeError;
}

void curses_complain(const char *text) { PyErr_SetString(curses_error_type(), text); }

PyObject *curses_check(int code, const char *name)
{
    if (code != ERR) Py_RETURN_NONE;
    PyErr_Format(curses_error_type(), "%s() returned ERR", name);
    return NULL;
}

PyObject *curses_null(void)
{
    curses_complain("curses function returned NULL");
    return NULL;
}

static int need(bool done, const char *text)
{
    if (!done) curses_complain(text);
    return done;
}

int curses_need_terminal(void)
{
    CursesState *state = curses_state();
    return need(state && state->terminal_set, "must call (at least) setupterm() first");
}

int curses_need_screen(void)
{
    CursesState *state = curses_state();
    return need(state && state->screen_made, "must call initscr() first");
}

int curses_need_colors(void)
{
    CursesState *state = curses_state();
    return need(state && state->colors_started, "must call start_color() first");
}

/* ---- without arguments ------------------------------------------------------------------------------------------------------- */

#define CALL(name_, text)                                                                                    \
    BUILTIN_NOARGS(curses, name_, "($module, /)", text)                                                       \
    {                                                                                                         \
        return curses_need_screen() ? curses_check(name_(), #name_) : NULL;                                   \
    }
#define TRUTH(name_, text)                                                                                   \
    BUILTIN_NOARGS(curses, name_, "($module, /)", text)                                                       \
    {                                                                                                         \
        return curses_need_screen() ? PyBool_FromLong(name_()) : NULL;                                        \
    }
#define NUMBER(name_, text)                                                                                  \
    BUILTIN_NOARGS(curses, name_, "($module, /)", text)                                                       \
    {                                                                                                         \
        return curses_need_screen() ? PyLong_FromLong((long)name_()) : NULL;                                  \
    }
/* A mode to enter, or to leave with False. */
#define MODE(name_, text)                                                                                    \
    BUILTIN(curses, name_, POSITIONAL, "($module, flag=True, /)", text)                                       \
    {                                                                                                         \
        int flag = arg[0] ? PyObject_IsTrue(arg[0]) : 1;                                                      \
        if (flag < 0 || !curses_need_screen()) return NULL;                                                   \
        return flag ? curses_check(name_(), #name_) : curses_check(no##name_(), "no" #name_);                 \
    }

CALL(beep, "Beep.")
CALL(def_prog_mode, "Keep the terminal's modes as those of the program.")
CALL(def_shell_mode, "Keep the terminal's modes as those of the shell.")
CALL(endwin, "Give the terminal back.")
CALL(flash, "Flash the screen.")
CALL(nocbreak, "Leave cbreak mode.")
CALL(noecho, "Do not show what is typed.")
CALL(nonl, "Do not translate newlines.")
CALL(noraw, "Leave raw mode.")
CALL(reset_prog_mode, "Go back to the modes that def_prog_mode() kept.")
CALL(reset_shell_mode, "Go back to the modes that def_shell_mode() kept.")
CALL(resetty, "Go back to the modes that savetty() kept.")
CALL(savetty, "Keep the terminal's modes for resetty().")
TRUTH(can_change_color, "Tell whether the terminal's colours can be defined.")
TRUTH(has_colors, "Tell whether the terminal has colours.")
TRUTH(has_ic, "Tell whether the terminal can insert and delete characters.")
TRUTH(has_il, "Tell whether the terminal can insert and delete lines.")
TRUTH(isendwin, "Tell whether the terminal has been given back.")
NUMBER(baudrate, "Return the terminal's speed in bits a second.")
NUMBER(termattrs, "Return the attributes that the terminal can show.")
MODE(cbreak, "Take keys as they are typed, but for those that send signals.")
MODE(echo, "Show what is typed.")
MODE(nl, "Translate newlines.")
MODE(raw, "Take keys as they are typed.")

BUILTIN_NOARGS(curses, doupdate, "($module, /)", "Show what noutrefresh() has marked.")
{
    int status;
    if (!curses_need_screen()) return NULL;
    Py_BEGIN_ALLOW_THREADS
    status = doupdate();
    Py_END_ALLOW_THREADS
    return curses_check(status, "doupdate");
}

BUILTIN_NOARGS(curses, filter, "($module, /)", "")
{
    filter();
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(curses, flushinp, "($module, /)", "Forget what has been typed and not read.")
{
    if (!curses_need_screen()) return NULL;
    flushinp();
    Py_RETURN_NONE;
}

BUILTIN(curses, qiflush, POSITIONAL, "($module, flag=True, /)", "Empty the queues at an interrupt.")
{
    int flag = arg[0] ? PyObject_IsTrue(arg[0]) : 1;
    if (flag < 0 || !curses_need_screen()) return NULL;
    if (flag) qiflush();
    else noqiflush();
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(curses, noqiflush, "($module, /)", "Do not empty the queues at an interrupt.")
{
    if (!curses_need_screen()) return NULL;
    noqiflush();
    Py_RETURN_NONE;
}

static PyObject *one_byte(char c) { return PyBytes_FromStringAndSize(&c, 1); }

BUILTIN_NOARGS(curses, erasechar, "($module, /)", "Return the character that erases one.") { return curses_need_screen() ? one_byte(erasechar()) : NULL; }
BUILTIN_NOARGS(curses, killchar, "($module, /)", "Return the character that erases a line.") { return one_byte(killchar()); }

static PyObject *text_or_empty(const char *text) { return PyBytes_FromString(text ? text : ""); }

BUILTIN_NOARGS(curses, longname, "($module, /)", "Return the terminal's long name.") { return curses_need_screen() ? text_or_empty(longname()) : NULL; }
BUILTIN_NOARGS(curses, termname, "($module, /)", "Return the terminal's short name.") { return curses_need_screen() ? text_or_empty(termname()) : NULL; }
BUILTIN_NOARGS(curses, has_extended_color_support, "($module, /)", "Tell whether there may be more than 256 pairs of colours.") { Py_RETURN_TRUE; }
BUILTIN_NOARGS(curses, get_escdelay, "($module, /)", "Return how many milliseconds a sequence may take after its escape character.") { return PyLong_FromLong(ESCDELAY); }
BUILTIN_NOARGS(curses, get_tabsize, "($module, /)", "Return how many columns a tab takes.") { return PyLong_FromLong(TABSIZE); }

/* ---- one int ----------------------------------------------------------------------------------------------------------------- */

static int int_of(PyObject *o, int *value) { return (*value = PyLong_AsInt(o)) == -1 && PyErr_Occurred() ? -1 : 0; }

BUILTIN_O(curses, set_escdelay, "($module, ms, /)", "Choose how many milliseconds a sequence may take after its escape character.")
{
    int ms;
    if (int_of(arg, &ms) < 0) return NULL;
    if (ms > 0) return curses_check(set_escdelay(ms), "set_escdelay");
    PyErr_SetString(PyExc_ValueError, "ms must be > 0");
    return NULL;
}

BUILTIN_O(curses, set_tabsize, "($module, size, /)", "Choose how many columns a tab takes.")
{
    int size;
    if (int_of(arg, &size) < 0) return NULL;
    if (size > 0) return curses_check(set_tabsize(size), "set_tabsize");
    PyErr_SetString(PyExc_ValueError, "size must be > 0");
    return NULL;
}

BUILTIN_O(curses, curs_set, "($module, visibility, /)", "Hide the cursor (0), show it (1), show it well (2); return how it was.")
{
    int visibility;
    if (int_of(arg, &visibility) < 0 || !curses_need_screen()) return NULL;
    int before = curs_set(visibility);
    return before == ERR ? curses_check(ERR, "curs_set") : PyLong_FromLong(before);
}

BUILTIN_O(curses, delay_output, "($module, ms, /)", "Have the terminal pause.")
{
    int ms;
    if (int_of(arg, &ms) < 0 || !curses_need_screen()) return NULL;
    return curses_check(delay_output(ms), "delay_output");
}

BUILTIN_O(curses, napms, "($module, ms, /)", "Sleep.")
{
    int ms, status;
    if (int_of(arg, &ms) < 0 || !curses_need_screen()) return NULL;
    Py_BEGIN_ALLOW_THREADS
    status = napms(ms);
    Py_END_ALLOW_THREADS
    return PyLong_FromLong(status);
}

BUILTIN_O(curses, halfdelay, "($module, tenths, /)", "Take keys as they are typed, waiting that many tenths of a second at most.")
{
    unsigned char tenths;
    if (!PyArg_Parse(arg, "b", &tenths) || !curses_need_screen()) return NULL;
    return curses_check(halfdelay(tenths), "halfdelay");
}

BUILTIN_O(curses, has_key, "($module, key, /)", "Tell whether the terminal has a key.")
{
    int key;
    if (int_of(arg, &key) < 0 || !curses_need_screen()) return NULL;
    return PyBool_FromLong(has_key(key));
}

BUILTIN_O(curses, keyname, "($module, key, /)", "Return the name of a key.")
{
    int key;
    if (int_of(arg, &key) < 0 || !curses_need_screen()) return NULL;
    if (key < 0) {
        PyErr_SetString(PyExc_ValueError, "invalid key number");
        return NULL;
    }
    const char *name = keyname(key);
    return PyBytes_FromString(name ? name : "");
}

BUILTIN_O(curses, typeahead, "($module, fd, /)", "Choose where it is looked whether more has been typed; -1: nowhere.")
{
    int fd;
    if (int_of(arg, &fd) < 0 || !curses_need_screen()) return NULL;
    return curses_check(typeahead(fd), "typeahead");
}

BUILTIN_O(curses, intrflush, "($module, flag, /)", "")
{
    int flag = PyObject_IsTrue(arg);
    if (flag < 0 || !curses_need_screen()) return NULL;
    return curses_check(intrflush(NULL, flag), "intrflush");
}

BUILTIN_O(curses, meta, "($module, yes, /)", "Take characters of eight bits, or of seven.")
{
    int yes = PyObject_IsTrue(arg);
    if (yes < 0 || !curses_need_screen()) return NULL;
    return curses_check(meta(stdscr, yes), "meta");
}

BUILTIN_O(curses, use_env, "($module, flag, /)", "Choose whether LINES and COLUMNS of the environment count.")
{
    int flag = PyObject_IsTrue(arg);
    if (flag < 0) return NULL;
    use_env(flag);
    Py_RETURN_NONE;
}

/* ---- colours ----------------------------------------------------------------------------------------------------------------- */

/* A number of 0 .. most. Beyond it ValueError with the text of greater, which shows most. */
static int number_of(PyObject *o, long least, long most, const char *less, const char *greater, int *value)
{
    int overflow;
    long number = PyLong_AsLongAndOverflow(o, &overflow);
    if (number == -1 && PyErr_Occurred()) return -1;
    if (overflow > 0 || number > most) PyErr_Format(PyExc_ValueError, greater, (int)most);
    else if (overflow < 0 || number < least) PyErr_SetString(PyExc_ValueError, less);
    else {
        *value = (int)number;
        return 0;
    }
    return -1;
}

static int color_of(PyObject *o, int *value)
{
    return number_of(o, 0, (long)COLORS - 1, "Color number is less than 0.", "Color number is greater than COLORS-1 (%d).", value);
}

/* A negative number is the terminal's own colour. */
static int color_or_default(PyObject *o, int *value)
{
    if (number_of(o, LONG_MIN, (long)COLORS - 1, "Color number is less than 0.", "Color number is greater than COLORS-1 (%d).", value) < 0) return -1;
    if (*value < 0) *value = -1;
    return 0;
}

static int pair_of(PyObject *o, int *value)
{
    return number_of(o, 0, INT_MAX, "Color pair is less than 0.", "Color pair is greater than maximum (%d).", value);
}

static int component_of(PyObject *o, int *value)
{
    return number_of(o, 0, 1000, "Color component is less than 0", "Color component is greater than 1000", value);
}

static int need_colors(void) { return curses_need_screen() && curses_need_colors(); }

/* Of a pair that the library refused. */
static PyObject *pair_refused(int pair, const char *name)
{
    if (pair < COLOR_PAIRS) return curses_check(ERR, name);
    PyErr_Format(PyExc_ValueError, "Color pair is greater than COLOR_PAIRS-1 (%d).", COLOR_PAIRS - 1);
    return NULL;
}

BUILTIN_O(curses, color_content, "($module, color_number, /)", "Return the red, green and blue of a colour.")
{
    int number, r, g, b;
    if (color_of(arg, &number) < 0 || !need_colors()) return NULL;
    if (extended_color_content(number, &r, &g, &b) == ERR) return curses_check(ERR, "extended_color_content");
    return Py_BuildValue("(iii)", r, g, b);
}

BUILTIN_O(curses, color_pair, "($module, pair_number, /)", "Return the attribute that shows text in a pair of colours.")
{
    int pair;
    if (int_of(arg, &pair) < 0 || !need_colors()) return NULL;
    return PyLong_FromLong((long)COLOR_PAIR(pair));
}

BUILTIN(curses, init_color, POSITIONAL, "($module, color_number, r, g, b, /)", "Define a colour.")
{
    int number, r, g, b;
    if (color_of(arg[0], &number) < 0 || component_of(arg[1], &r) < 0 || component_of(arg[2], &g) < 0 || component_of(arg[3], &b) < 0) return NULL;
    return need_colors() ? curses_check(init_extended_color(number, r, g, b), "init_extended_color") : NULL;
}

BUILTIN(curses, init_pair, POSITIONAL, "($module, pair_number, fg, bg, /)", "Define a pair of colours.")
{
    int pair, fg, bg;
    if (pair_of(arg[0], &pair) < 0 || color_or_default(arg[1], &fg) < 0 || color_or_default(arg[2], &bg) < 0 || !need_colors()) return NULL;
    if (init_extended_pair(pair, fg, bg) == ERR) return pair_refused(pair, "init_extended_pair");
    Py_RETURN_NONE;
}

BUILTIN_O(curses, pair_content, "($module, pair_number, /)", "Return the two colours of a pair.")
{
    int pair, fg, bg;
    if (pair_of(arg, &pair) < 0 || !need_colors()) return NULL;
    if (extended_pair_content(pair, &fg, &bg) == ERR) return pair_refused(pair, "extended_pair_content");
    return Py_BuildValue("(ii)", fg, bg);
}

BUILTIN_O(curses, pair_number, "($module, attr, /)", "Return the pair of colours that an attribute stands for.")
{
    int attr;
    if (int_of(arg, &attr) < 0 || !need_colors()) return NULL;
    return PyLong_FromLong(PAIR_NUMBER(attr));
}

static int set_int(PyObject *dict, const char *name, long value)
{
    PyObject *number = PyLong_FromLong(value);
    int status = number ? PyDict_SetItemString(dict, name, number) : -1;
    Py_XDECREF(number);
    return status;
}

BUILTIN_NOARGS(curses, start_color, "($module, /)", "Begin with colours; sets COLORS and COLOR_PAIRS.")
{
    if (!curses_need_screen()) return NULL;
    if (start_color() == ERR) return curses_check(ERR, "start_color");
    CursesState *state = curses_state();
    if (state) state->colors_started = true;
    PyObject *dict = PyModule_GetDict(self);
    if (set_int(dict, "COLORS", COLORS) < 0 || set_int(dict, "COLOR_PAIRS", COLOR_PAIRS) < 0) return NULL;
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(curses, use_default_colors, "($module, /)", "Let -1 be the terminal's own colour.")
{
    return need_colors() ? curses_check(use_default_colors(), "use_default_colors") : NULL;
}

/* ---- the mouse and the keyboard ---------------------------------------------------------------------------------------------- */

BUILTIN_NOARGS(curses, getmouse, "($module, /)", "Return what the mouse did, as (id, x, y, z, buttons).")
{
    MEVENT event;
    if (!curses_need_screen()) return NULL;
    if (getmouse(&event) == ERR) return curses_check(ERR, "getmouse");
    return Py_BuildValue("(hiiik)", event.id, event.x, event.y, event.z, (unsigned long)event.bstate);
}

BUILTIN_O(curses, mouseinterval, "($module, interval, /)", "Choose how many milliseconds a click may take.")
{
    int interval;
    if (int_of(arg, &interval) < 0 || !curses_need_screen()) return NULL;
    return curses_check(mouseinterval(interval), "mouseinterval");
}

/* An int of any size, of which the lowest bits count. */
static int mask_of(PyObject *o, const char *function, const char *which, unsigned long *mask)
{
    if (!PyLong_Check(o)) {
        PyErr_Format(PyExc_TypeError, "%s() argument%s must be int, not %.50s", function, which, o == Py_None ? "None" : Py_TYPE(o)->tp_name);
        return -1;
    }
    return (*mask = PyLong_AsUnsignedLongMask(o)) == (unsigned long)-1 && PyErr_Occurred() ? -1 : 0;
}

BUILTIN_O(curses, mousemask, "($module, newmask, /)", "Choose what the mouse reports; return what it can report and what it did.")
{
    unsigned long mask;
    mmask_t before = 0;
    if (mask_of(arg, "mousemask", "", &mask) < 0 || !curses_need_screen()) return NULL;
    mmask_t available = mousemask((mmask_t)mask, &before);
    return Py_BuildValue("(kk)", (unsigned long)available, (unsigned long)before);
}

BUILTIN(curses, ungetmouse, POSITIONAL, "($module, id, x, y, z, bstate, /)", "Have getmouse() return an event.")
{
    short id;
    unsigned long buttons;
    MEVENT event;
    if (!PyArg_Parse(arg[0], "h", &id) || int_of(arg[1], &event.x) < 0 || int_of(arg[2], &event.y) < 0 || int_of(arg[3], &event.z) < 0 ||
        mask_of(arg[4], "ungetmouse", " 5", &buttons) < 0 || !curses_need_screen()) return NULL;
    event.id = id;
    event.bstate = (mmask_t)buttons;
    return curses_check(ungetmouse(&event), "ungetmouse");
}

BUILTIN_O(curses, unctrl, "($module, ch, /)", "Return how a character is shown; ^A for a control character.")
{
    chtype ch;
    if (!curses_need_screen() || curses_to_chtype(NULL, arg, &ch) < 0) return NULL;
    const char *text = unctrl(ch);
    return text ? PyBytes_FromString(text) : curses_null();
}

BUILTIN_O(curses, ungetch, "($module, ch, /)", "Have getch() return a character.")
{
    chtype ch;
    if (!curses_need_screen() || curses_to_chtype(NULL, arg, &ch) < 0) return NULL;
    return curses_check(ungetch((int)ch), "ungetch");
}

BUILTIN_O(curses, unget_wch, "($module, ch, /)", "Have get_wch() return a character.")
{
    wchar_t wide;
    if (!curses_need_screen() || curses_to_wchar(arg, &wide) < 0) return NULL;
    return curses_check(unget_wch(wide), "unget_wch");
}

/* ---- the screen -------------------------------------------------------------------------------------------------------------- */

BUILTIN_NOARGS(curses, getsyx, "($module, /)", "Return where the cursor will be, (-1, -1) when that does not matter.")
{
    int y = 0, x = 0;
    if (!curses_need_screen()) return NULL;
    getsyx(y, x);
    return Py_BuildValue("(ii)", y, x);
}

BUILTIN(curses, setsyx, POSITIONAL, "($module, y, x, /)", "Choose where the cursor will be; (-1, -1): that does not matter.")
{
    int y, x;
    if (int_of(arg[0], &y) < 0 || int_of(arg[1], &x) < 0 || !curses_need_screen()) return NULL;
    setsyx(y, x);
    Py_RETURN_NONE;
}

/* LINES and COLS, in this module and in curses, which has copies. */
static int sizes_tell(PyObject *module)
{
    PyObject *package = PyImport_ImportModule("curses"), *own = PyModule_GetDict(module);
    if (!package) return -1;
    PyObject *height = PyLong_FromLong(LINES), *width = PyLong_FromLong(COLS);
    int status = height && width && PyDict_SetItemString(own, "LINES", height) == 0 && PyObject_SetAttrString(package, "LINES", height) == 0 &&
                 PyDict_SetItemString(own, "COLS", width) == 0 && PyObject_SetAttrString(package, "COLS", width) == 0 ? 0 : -1;
    Py_XDECREF(height);
    Py_XDECREF(width);
    Py_DECREF(package);
    return status;
}

BUILTIN_NOARGS(curses, update_lines_cols, "($module, /)", "")
{
    if (sizes_tell(self) < 0) return NULL;
    Py_RETURN_NONE;
}

static PyObject *resize(PyObject *module, PyObject *const *arg, int (*change)(int, int), const char *name)
{
    short height, width;                      /* as the library keeps them: more makes it crash later */
    if (!PyArg_Parse(arg[0], "h", &height) || !PyArg_Parse(arg[1], "h", &width) || !curses_need_screen()) return NULL;
    PyObject *result = curses_check(change(height, width), name);
    if (!result || sizes_tell(module) == 0) return result;
    Py_DECREF(result);
    return NULL;
}

BUILTIN(curses, resizeterm, POSITIONAL, "($module, nlines, ncols, /)", "Give the screen another size, as when the terminal has it.") { return resize(self, arg, resizeterm, "resizeterm"); }
BUILTIN(curses, resize_term, POSITIONAL, "($module, nlines, ncols, /)", "Give the screen another size.") { return resize(self, arg, resize_term, "resize_term"); }

BUILTIN(curses, is_term_resized, POSITIONAL, "($module, nlines, ncols, /)", "Tell whether resize_term() would change anything.")
{
    int height, width;
    if (int_of(arg[0], &height) < 0 || int_of(arg[1], &width) < 0 || !curses_need_screen()) return NULL;
    return PyBool_FromLong(is_term_resized(height, width));
}

/* The characters for drawing are known when the terminal is. */
#define ACS(X) X(ULCORNER) X(LLCORNER) X(URCORNER) X(LRCORNER) X(LTEE) X(RTEE) X(BTEE) X(TTEE) X(HLINE) X(VLINE) X(PLUS) X(S1) X(S9) X(DIAMOND) \
    X(CKBOARD) X(DEGREE) X(PLMINUS) X(BULLET) X(LARROW) X(RARROW) X(DARROW) X(UARROW) X(BOARD) X(LANTERN) X(BLOCK) \
    X(BSSB) X(SSBB) X(BBSS) X(SBBS) X(SBSS) X(SSSB) X(SSBS) X(BSSS) X(BSBS) X(SBSB) X(SSSS) X(S3) X(S7) X(LEQUAL) X(GEQUAL) X(PI) X(NEQUAL) X(STERLING)

static int screen_constants(PyObject *dict)
{
    const struct { const char *name; chtype value; } table[] = {
#define X(name) { "ACS_" #name, ACS_##name },
        ACS(X)
#undef X
    };
    for (size_t i = 0; i < ARRAY_LENGTH(table); i++)
        if (set_int(dict, table[i].name, (long)table[i].value) < 0) return -1;
    return set_int(dict, "LINES", LINES) < 0 || set_int(dict, "COLS", COLS) < 0 ? -1 : 0;
}

static PyObject *screen_window(void) { return window_new(stdscr, NULL, NULL); }

BUILTIN_NOARGS(curses, initscr, "($module, /)", "Begin: take the terminal over and return the window of the whole screen.")
{
    CursesState *state = PyModule_GetState(self);
    if (state->screen_made) {
        wrefresh(stdscr);
        return screen_window();
    }
    if (!initscr()) return curses_null();
    state->screen_made = state->terminal_set = true;
    if (screen_constants(PyModule_GetDict(self)) < 0) return NULL;
    PyObject *window = screen_window();
    if (!window) return NULL;
    size_t size = strlen(((PyCursesWindowObject *)window)->encoding) + 1;
    if ((state->encoding = PyMem_Malloc(size))) memcpy(state->encoding, ((PyCursesWindowObject *)window)->encoding, size);
    return window;
}

static PyObject *own_window(WINDOW *win) { return win ? window_new(win, NULL, NULL) : curses_null(); }

VARARGS_DOC(curses, newwin, "newwin(nlines, ncols, [begin_y=0, begin_x=0])\nMake a window.")
{
    int v[4] = {0};
    Py_ssize_t n = PyTuple_GET_SIZE(args);
    if (n != 2 && n != 4) {
        PyErr_SetString(PyExc_TypeError, "_curses.newwin requires 2 to 4 arguments");
        return NULL;
    }
    for (Py_ssize_t i = 0; i < n; i++)
        if (!PyArg_Parse(PyTuple_GET_ITEM(args, i), "i", &v[i])) return NULL;
    return curses_need_screen() ? own_window(newwin(v[0], v[1], v[2], v[3])) : NULL;
}

BUILTIN(curses, newpad, POSITIONAL, "($module, nlines, ncols, /)", "Make a pad, a window that may be greater than the screen.")
{
    int height, width;
    if (int_of(arg[0], &height) < 0 || int_of(arg[1], &width) < 0 || !curses_need_screen()) return NULL;
    return own_window(newpad(height, width));
}

BUILTIN_O(curses, getwin, "($module, file, /)", "Read a window that putwin() wrote.")
{
    if (!curses_need_screen()) return NULL;
    PyObject *data = PyObject_CallMethod(arg, "read", NULL), *result = NULL;
    if (!data) return NULL;
    FILE *fp = NULL;
    if (!PyBytes_Check(data)) PyErr_Format(PyExc_TypeError, "f.read() returned %.100s instead of bytes", Py_TYPE(data)->tp_name);
    else if (!(fp = tmpfile())) PyErr_SetFromErrno(PyExc_OSError);
    else if (fwrite(PyBytes_AS_STRING(data), 1, (size_t)PyBytes_GET_SIZE(data), fp) != (size_t)PyBytes_GET_SIZE(data)) PyErr_SetFromErrno(PyExc_OSError);
    else {
        rewind(fp);
        result = own_window(getwin(fp));
    }
    if (fp) fclose(fp);
    Py_DECREF(data);
    return result;
}

/* ---- terminfo ---------------------------------------------------------------------------------------------------------------- */

/* What sys.stdout writes to. -1 with an exception. */
static int output_fd(void)
{
    PyObject *out = PySys_GetObject("stdout");
    if (!out || out == Py_None) {
        curses_complain("lost sys.stdout");
        return -1;
    }
    Py_INCREF(out);
    int fd = PyObject_AsFileDescriptor(out);
    Py_DECREF(out);
    return fd;
}

/* text as UTF-8 without NUL; the TypeError shows who wants it, and what. */
static const char *text_of(PyObject *o, const char *wanting, const char *wanted)
{
    Py_ssize_t size;
    if (!PyUnicode_Check(o)) {
        PyErr_Format(PyExc_TypeError, "%s must be %s, not %.50s", wanting, wanted, o == Py_None ? "None" : Py_TYPE(o)->tp_name);
        return NULL;
    }
    const char *text = PyUnicode_AsUTF8AndSize(o, &size);
    if (!text || strlen(text) == (size_t)size) return text;
    PyErr_SetString(PyExc_ValueError, "embedded null character");
    return NULL;
}

BUILTIN(curses, setupterm, KEYWORDS, "($module, /, term=None, fd=-1)", "Begin with the terminal only: term, or what TERM names.")
{
    const char *term = NULL;
    int fd = -1, code = 0;
    if (arg[0] && arg[0] != Py_None && !(term = text_of(arg[0], "setupterm() argument 'term'", "str or None"))) return NULL;
    if (arg[1] && int_of(arg[1], &fd) < 0) return NULL;
    if (fd == -1 && (fd = output_fd()) == -1) return NULL;
    CursesState *state = PyModule_GetState(self);
    if (!state->terminal_set && terminal_set_up(term, fd, &code) == ERR) {
        curses_complain(code == 0 ? "setupterm: could not find terminal" : code == -1 ? "setupterm: could not find terminfo database" : "setupterm: unknown error");
        return NULL;
    }
    state->terminal_set = true;
    Py_RETURN_NONE;
}

BUILTIN_O(curses, tigetflag, "($module, capname, /)", "Return a capability that the terminal has or not.")
{
    const char *name = text_of(arg, "tigetflag() argument", "str");
    return name && curses_need_terminal() ? PyLong_FromLong(tigetflag(name)) : NULL;
}

BUILTIN_O(curses, tigetnum, "($module, capname, /)", "Return a capability that is a number.")
{
    const char *name = text_of(arg, "tigetnum() argument", "str");
    return name && curses_need_terminal() ? PyLong_FromLong(tigetnum(name)) : NULL;
}

BUILTIN_O(curses, tigetstr, "($module, capname, /)", "Return a capability that is a string, or None.")
{
    const char *name = text_of(arg, "tigetstr() argument", "str");
    if (!name || !curses_need_terminal()) return NULL;
    const char *value = tigetstr(name);
    if (!value || value == (char *)-1) Py_RETURN_NONE;
    return PyBytes_FromString(value);
}

/* Whether a capability takes a parameter for a string (%s, %l): only numbers can be given here, and the library would follow them. */
static bool wants_string(const char *p)
{
    for (; *p; p++) {
        if (*p != '%' || !*++p) continue;
        if (*p == ':') p++;
        p += strspn(p, "-+# 0123456789.");
        if (*p == 's' || *p == 'l') return true;
        if (!*p) break;
    }
    return false;
}

BUILTIN(curses, tparm, PARSED, "($module, str, i1=0, i2=0, i3=0, i4=0, i5=0, i6=0, i7=0, i8=0,\n      i9=0, /)", "Put numbers into a capability.")
{
    const char *capability;
    int v[9] = {0};
    PyObject *first = PyTuple_Pack(1, arg[0]);
    if (!first) return NULL;
    int parsed = PyArg_ParseTuple(first, "y:tparm", &capability);      /* for its wording */
    Py_DECREF(first);
    if (!parsed) return NULL;
    for (int i = 0; i < 9; i++)
        if (arg[i + 1] && !PyArg_Parse(arg[i + 1], "i", &v[i])) return NULL;
    if (!curses_need_terminal()) return NULL;
#define P(i) ((NCURSES_TPARM_ARG)v[i])
    const char *result = wants_string(capability) ? NULL : tparm(capability, P(0), P(1), P(2), P(3), P(4), P(5), P(6), P(7), P(8));
    if (result) return PyBytes_FromString(result);
    curses_complain("tparm() returned NULL");
    return NULL;
}

BUILTIN_O(curses, putp, "($module, string, /)", "Write a capability to the terminal.")
{
    const char *text;
    return PyArg_Parse(arg, "y", &text) ? curses_check(putp(text), "putp") : NULL;
}

/* ---- the module -------------------------------------------------------------------------------------------------------------- */

static PyMethodDef curses_methods[] = {
    METHOD(curses, baudrate), METHOD(curses, beep), METHOD(curses, can_change_color), METHOD(curses, cbreak), METHOD(curses, color_content),
    METHOD(curses, color_pair), METHOD(curses, curs_set), METHOD(curses, def_prog_mode), METHOD(curses, def_shell_mode),
    METHOD(curses, delay_output), METHOD(curses, doupdate), METHOD(curses, echo), METHOD(curses, endwin), METHOD(curses, erasechar),
    METHOD(curses, filter), METHOD(curses, flash), METHOD(curses, flushinp), METHOD(curses, getmouse), METHOD(curses, ungetmouse),
    METHOD(curses, getsyx), METHOD(curses, getwin), METHOD(curses, has_colors), METHOD(curses, has_extended_color_support), METHOD(curses, has_ic),
    METHOD(curses, has_il), METHOD(curses, has_key), METHOD(curses, halfdelay), METHOD(curses, init_color), METHOD(curses, init_pair),
    METHOD(curses, initscr), METHOD(curses, intrflush), METHOD(curses, isendwin), METHOD(curses, is_term_resized), METHOD(curses, keyname),
    METHOD(curses, killchar), METHOD(curses, longname), METHOD(curses, meta), METHOD(curses, mouseinterval), METHOD(curses, mousemask),
    METHOD(curses, napms), METHOD(curses, newpad), METHOD(curses, newwin), METHOD(curses, nl), METHOD(curses, nocbreak), METHOD(curses, noecho),
    METHOD(curses, nonl), METHOD(curses, noqiflush), METHOD(curses, noraw), METHOD(curses, pair_content), METHOD(curses, pair_number),
    METHOD(curses, putp), METHOD(curses, qiflush), METHOD(curses, raw), METHOD(curses, reset_prog_mode), METHOD(curses, reset_shell_mode),
    METHOD(curses, resetty), METHOD(curses, resizeterm), METHOD(curses, resize_term), METHOD(curses, savetty), METHOD(curses, get_escdelay),
    METHOD(curses, set_escdelay), METHOD(curses, get_tabsize), METHOD(curses, set_tabsize), METHOD(curses, setsyx), METHOD(curses, setupterm),
    METHOD(curses, start_color), METHOD(curses, termattrs), METHOD(curses, termname), METHOD(curses, tigetflag), METHOD(curses, tigetnum),
    METHOD(curses, tigetstr), METHOD(curses, tparm), METHOD(curses, typeahead), METHOD(curses, unctrl), METHOD(curses, ungetch),
    METHOD(curses, unget_wch), METHOD(curses, update_lines_cols), METHOD(curses, use_env), METHOD(curses, use_default_colors), {0}
};

static const struct { const char *name; long value; } constants[] = {
#define N(name) { #name, (long)(name) }
    N(ERR), N(OK), N(A_ATTRIBUTES), N(A_NORMAL), N(A_STANDOUT), N(A_UNDERLINE), N(A_REVERSE), N(A_BLINK), N(A_DIM), N(A_BOLD),
    N(A_ALTCHARSET), N(A_INVIS), N(A_PROTECT), N(A_CHARTEXT), N(A_COLOR), N(A_HORIZONTAL), N(A_LEFT), N(A_LOW), N(A_RIGHT), N(A_TOP),
    N(A_VERTICAL), N(A_ITALIC), N(COLOR_BLACK), N(COLOR_RED), N(COLOR_GREEN), N(COLOR_YELLOW), N(COLOR_BLUE), N(COLOR_MAGENTA), N(COLOR_CYAN),
    N(COLOR_WHITE),
#define B(n) N(BUTTON##n##_PRESSED), N(BUTTON##n##_RELEASED), N(BUTTON##n##_CLICKED), N(BUTTON##n##_DOUBLE_CLICKED), N(BUTTON##n##_TRIPLE_CLICKED)
    B(1), B(2), B(3), B(4),
#ifdef BUTTON5_PRESSED
    B(5),
#endif
    N(BUTTON_SHIFT), N(BUTTON_CTRL), N(BUTTON_ALT), N(ALL_MOUSE_EVENTS), N(REPORT_MOUSE_POSITION), N(KEY_MIN), N(KEY_MAX),
};

/* KEY_UP and the like, by the library's own names; KEY_F(1) becomes KEY_F1. */
static int key_constants(PyObject *dict)
{
    for (int key = KEY_MIN; key < KEY_MAX; key++) {
        char name[64];
        const char *given = keyname(key);
        size_t n = 0;
        if (!given || strcmp(given, "UNKNOWN KEY") == 0 || strncmp(given, "KEY_", 4) != 0) continue;
        for (; *given && n + 1 < sizeof name; given++)
            if (*given != '(' && *given != ')') name[n++] = *given;
        name[n] = 0;
        if (set_int(dict, name, key) < 0) return -1;
    }
    return 0;
}

static PyStructSequence_Field version_fields[] = {
    { "major", "Major release number" }, { "minor", "Minor release number" }, { "patch", "Patch release number" }, {0}
};

static PyStructSequence_Desc version_desc = { "curses.ncurses_version", "Version of the ncurses library.", version_fields, 3 };

static PyObject *ncurses_version(void)
{
    int number[3] = { NCURSES_VERSION_MAJOR, NCURSES_VERSION_MINOR, NCURSES_VERSION_PATCH };
    const char *running = curses_version();
    if (running && sscanf(running, "%*[^0-9]%d.%d.%d", &number[0], &number[1], &number[2]) != 3)
        number[0] = NCURSES_VERSION_MAJOR, number[1] = NCURSES_VERSION_MINOR, number[2] = NCURSES_VERSION_PATCH;
    PyTypeObject *type = PyStructSequence_NewType(&version_desc);
    PyObject *version = type ? PyStructSequence_New(type) : NULL;
    for (int i = 0; version && i < 3; i++) {
        PyObject *item = PyLong_FromLong(number[i]);
        if (item) PyStructSequence_SetItem(version, i, item);
        else Py_CLEAR(version);
    }
    if (version) type->tp_flags |= Py_TPFLAGS_DISALLOW_INSTANTIATION;
    if (version) type->tp_new = NULL;
    Py_XDECREF(type);
    return version;
}

static void api_free(PyObject *capsule) { PyMem_Free(PyCapsule_GetPointer(capsule, PyCurses_CAPSULE_NAME)); }

/* The C API for modules such as _curses_panel: the window type, and what says whether the three calls have been made. */
static PyObject *api_capsule(void)
{
    void **api = PyMem_Calloc(PyCurses_API_pointers, sizeof *api);
    if (!api) return PyErr_NoMemory();
    api[0] = &window_type;
    api[1] = (void *)(uintptr_t)curses_need_terminal;
    api[2] = (void *)(uintptr_t)curses_need_screen;
    api[3] = (void *)(uintptr_t)curses_need_colors;
    PyObject *capsule = PyCapsule_New(api, PyCurses_CAPSULE_NAME, api_free);
    if (!capsule) PyMem_Free(api);
    return capsule;
}

static int add(PyObject *module, const char *name, PyObject *value)
{
    int status = PyModule_AddObjectRef(module, name, value);
    Py_XDECREF(value);
    return status;
}

/* A module made again continues what the first one began: the library is the same. */
static int state_start(CursesState *state)
{
    CursesState *before = curses_state();
    if (before && before != state) {
        *state = *before;
        Py_XINCREF(state->error);
        state->encoding = NULL;               /* the locale's, as before in all but odd cases */
        return state->error ? 0 : -1;
    }
    return (state->error = PyErr_NewException("_curses.error", NULL, NULL)) ? 0 : -1;
}

static int curses_traverse(PyObject *module, visitproc visit, void *arg)
{
    Py_VISIT(((CursesState *)PyModule_GetState(module))->error);
    return 0;
}

static int curses_clear(PyObject *module)
{
    Py_CLEAR(((CursesState *)PyModule_GetState(module))->error);
    return 0;
}

static void curses_free(void *module)
{
    CursesState *state = PyModule_GetState(module);
    Py_CLEAR(state->error);
    PyMem_Free(state->encoding);
    state->encoding = NULL;
}

static PyModuleDef curses_module = {
    PyModuleDef_HEAD_INIT, "_curses", NULL, sizeof(CursesState), curses_methods, NULL, curses_traverse, curses_clear, curses_free
};

static int curses_fill(PyObject *module)
{
    CursesState *state = PyModule_GetState(module);
    PyObject *dict = PyModule_GetDict(module);
    if (state_start(state) < 0 || PyModule_AddType(module, &window_type) < 0 || PyModule_AddObjectRef(module, "error", state->error) < 0 ||
        add(module, "_C_API", api_capsule()) < 0 || add(module, "version", PyBytes_FromString("2.2")) < 0 ||
        add(module, "__version__", PyBytes_FromString("2.2")) < 0 || add(module, "ncurses_version", ncurses_version()) < 0) return -1;
    for (size_t i = 0; i < ARRAY_LENGTH(constants); i++)
        if (set_int(dict, constants[i].name, constants[i].value) < 0) return -1;
    return key_constants(dict);
}

PyMODINIT_FUNC PyInit__curses(void)
{
    PyObject *module = PyModule_Create(&curses_module);
    if (module && curses_fill(module) < 0) Py_CLEAR(module);
    return module;
}
