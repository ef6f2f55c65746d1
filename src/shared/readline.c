/* The readline module: line editing, completion and history over GNU readline.
 *
 * The library is one for the process, and it calls back without a context. What belongs to Python (the hooks, what set_auto_history()
 * and set_history_length() chose) is in the module's state, which callbacks find by PyState_FindModule(); the module is therefore
 * of the kind that sub-interpreters do not load. Static are only a line being read (one at a time: PyOS_Readline holds a lock
 * meanwhile) and what a signal handler must reach.
 *
 * Texts cross in the encoding of the locale, with surrogateescape. The library knows nothing of threads: it works with the GIL held,
 * so that others may look at the line and the history meanwhile, and lets go of it only to wait for what is typed. */
#include "capi/args.h"

#include <errno.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <readline/history.h>
#include <readline/readline.h>

typedef struct ReadlineState {
    PyObject *completer, *display_matches_hook, *startup_hook, *pre_input_hook;
    int begin, end;                           /* of the word being completed, in characters */
    int history_length;                       /* lines that a history file keeps; negative: all */
    bool auto_history;
    char *delims;                             /* what the library splits words by, ours to free */
} ReadlineState;

/* Exported by every Python, declared by no header: the thread that reads a line. */
PyAPI_DATA(PyThreadState *) _PyOS_ReadlineTState;

static PyModuleDef readline_module;

static ReadlineState *state_of(PyObject *module) { return PyModule_GetState(module); }

/* For callbacks, which hold the GIL. NULL where no module is (any more). */
static ReadlineState *state_find(void)
{
    PyObject *module = PyState_FindModule(&readline_module);
    return module ? state_of(module) : NULL;
}

static PyObject *encode(PyObject *text) { return PyUnicode_EncodeLocale(text, "surrogateescape"); }
static PyObject *decode(const char *text) { return PyUnicode_DecodeLocale(text, "surrogateescape"); }

/* ---- the user's locale while the library works ------------------------------------------------------------------------------- */

/* What LC_CTYPE was, for locale_restore(); NULL out of memory (then nothing has changed). */
static char *locale_enter(void)
{
    const char *now = setlocale(LC_CTYPE, NULL);
    char *saved = now ? strdup(now) : NULL;
    if (saved) setlocale(LC_CTYPE, "");
    return saved;
}

static void locale_restore(char *saved)
{
    if (saved) setlocale(LC_CTYPE, saved);
    free(saved);
}

/* ---- files ------------------------------------------------------------------------------------------------------------------- */

/* The path as bytes, NULL for the default one. -1 with an exception. */
static int path_of(PyObject *given, PyObject **bytes)
{
    *bytes = NULL;
    return !given || given == Py_None || PyUnicode_FSConverter(given, bytes) ? 0 : -1;
}

static const char *path_text(PyObject *bytes) { return bytes ? PyBytes_AS_STRING(bytes) : NULL; }

/* None, or the OSError of the number that the library returned. */
static PyObject *file_result(PyObject *bytes, int error)
{
    Py_XDECREF(bytes);
    if (!error) Py_RETURN_NONE;
    errno = error;
    return PyErr_SetFromErrno(PyExc_OSError);
}

/* Pasted text is handled as typed, whatever the configuration says: a block would otherwise run as one line. */
static void disable_bracketed_paste(void) { rl_variable_bind("enable-bracketed-paste", "off"); }

BUILTIN_O(readline, parse_and_bind, "($module, string, /)", "Take string as a line of a configuration file.")
{
    PyObject *bytes = encode(arg);
    if (!bytes) return NULL;
    char *copy = strdup(PyBytes_AS_STRING(bytes));      /* the library writes into it */
    Py_DECREF(bytes);
    if (!copy) return PyErr_NoMemory();
    rl_parse_and_bind(copy);
    free(copy);
    Py_RETURN_NONE;
}

BUILTIN(readline, read_init_file, POSITIONAL, "($module, filename=None, /)",
        "Read a configuration file.\n\nBy default the one that was read last.")
{
    PyObject *path;
    if (path_of(arg[0], &path) < 0) return NULL;
    errno = rl_read_init_file(path_text(path));
    int error = errno;
    disable_bracketed_paste();
    return file_result(path, error);
}

BUILTIN(readline, read_history_file, POSITIONAL, "($module, filename=None, /)",
        "Add the lines of a file to the history.\n\nBy default of ~/.history.")
{
    PyObject *path;
    if (path_of(arg[0], &path) < 0) return NULL;
    return file_result(path, read_history(path_text(path)));
}

static void truncate_file(PyObject *module, const char *path)
{
    int length = state_of(module)->history_length;
    if (length >= 0) history_truncate_file(path, length);
}

BUILTIN(readline, write_history_file, POSITIONAL, "($module, filename=None, /)",
        "Write the history to a file.\n\nBy default to ~/.history.")
{
    PyObject *path;
    if (path_of(arg[0], &path) < 0) return NULL;
    int error = write_history(path_text(path));
    if (!error) truncate_file(self, path_text(path));
    return file_result(path, error);
}

BUILTIN(readline, append_history_file, POSITIONAL, "($module, nelements, filename=None, /)",
        "Add the last nelements lines of the history to a file.\n\nBy default to ~/.history.")
{
    PyObject *path;
    int count = PyLong_AsInt(arg[0]);
    if (count == -1 && PyErr_Occurred()) return NULL;
    if (count < 0) {
        PyErr_SetString(PyExc_ValueError, "nelements must be positive");
        return NULL;
    }
    if (path_of(arg[1], &path) < 0) return NULL;
    int error = append_history(count, path_text(path));
    if (!error) truncate_file(self, path_text(path));
    return file_result(path, error);
}

BUILTIN_O(readline, set_history_length, "($module, length, /)",
          "Set how many lines a history file keeps.\n\nA negative number: all of them.")
{
    int length = PyLong_AsInt(arg);
    if (length == -1 && PyErr_Occurred()) return NULL;
    state_of(self)->history_length = length;
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(readline, get_history_length, "($module, /)", "Return how many lines a history file keeps.")
{
    return PyLong_FromLong(state_of(self)->history_length);
}

/* ---- history ----------------------------------------------------------------------------------------------------------------- */

/* history_length of the library, but not from its cached state. */
static int history_count(void)
{
    HISTORY_STATE *state = history_get_history_state();
    int length = state ? state->length : 0;
    free(state);
    return length;
}

static void entry_free(HIST_ENTRY *entry)
{
    if (entry) free(free_history_entry(entry));
}

BUILTIN_O(readline, add_history, "($module, string, /)", "Put a line at the end of the history.")
{
    PyObject *bytes = encode(arg);
    if (!bytes) return NULL;
    add_history(PyBytes_AS_STRING(bytes));
    Py_DECREF(bytes);
    Py_RETURN_NONE;
}

/* A position counted from zero; -1 with an exception. */
static int position_of(PyObject *o)
{
    int position = PyLong_AsInt(o);
    if (position == -1 && PyErr_Occurred()) return -1;
    if (position < 0) {
        PyErr_SetString(PyExc_ValueError, "History index cannot be negative");
        return -1;
    }
    return position;
}

static PyObject *no_item(int position)
{
    return PyErr_Format(PyExc_ValueError, "No history item at position %d", position);
}

BUILTIN_O(readline, remove_history_item, "($module, pos, /)", "Take the line at pos, counted from zero, out of the history.")
{
    int position = position_of(arg);
    if (position < 0) return NULL;
    HIST_ENTRY *entry = remove_history(position);
    if (!entry) return no_item(position);
    entry_free(entry);
    Py_RETURN_NONE;
}

BUILTIN(readline, replace_history_item, POSITIONAL, "($module, pos, line, /)", "Put another line at pos, counted from zero, of the history.")
{
    int position = PyLong_AsInt(arg[0]);
    if (position == -1 && PyErr_Occurred()) return NULL;
    if (!PyUnicode_Check(arg[1])) {
        PyErr_Format(PyExc_TypeError, "replace_history_item() argument 2 must be str, not %.50s", arg[1] == Py_None ? "None" : Py_TYPE(arg[1])->tp_name);
        return NULL;
    }
    if ((position = position_of(arg[0])) < 0) return NULL;
    PyObject *bytes = encode(arg[1]);
    if (!bytes) return NULL;
    HIST_ENTRY *old = replace_history_entry(position, PyBytes_AS_STRING(bytes), NULL);
    Py_DECREF(bytes);
    if (!old) return no_item(position);
    entry_free(old);
    Py_RETURN_NONE;
}

BUILTIN_O(readline, get_history_item, "($module, index, /)", "Return the line at index, counted from one, of the history.")
{
    int index = PyLong_AsInt(arg);
    if (index == -1 && PyErr_Occurred()) return NULL;
    HIST_ENTRY *entry = history_get(index);
    if (!entry) Py_RETURN_NONE;
    return decode(entry->line);
}

BUILTIN_NOARGS(readline, get_current_history_length, "($module, /)", "Return how many lines the history has now.")
{
    return PyLong_FromLong(history_count());
}

BUILTIN_NOARGS(readline, clear_history, "($module, /)", "Forget the history.")
{
    clear_history();
    Py_RETURN_NONE;
}

BUILTIN_O(readline, set_auto_history, "($module, enabled, /)", "Choose whether a line that was typed enters the history by itself.")
{
    int enabled = PyObject_IsTrue(arg);
    if (enabled < 0) return NULL;
    state_of(self)->auto_history = enabled != 0;
    Py_RETURN_NONE;
}

/* ---- the line being edited --------------------------------------------------------------------------------------------------- */

BUILTIN_NOARGS(readline, get_line_buffer, "($module, /)", "Return the line as it stands.") { return decode(rl_line_buffer ? rl_line_buffer : ""); }

BUILTIN_O(readline, insert_text, "($module, string, /)", "Put text into the line, at the cursor.")
{
    PyObject *bytes = encode(arg);
    if (!bytes) return NULL;
    rl_insert_text(PyBytes_AS_STRING(bytes));
    Py_DECREF(bytes);
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(readline, redisplay, "($module, /)", "Show the line as it stands.")
{
    rl_redisplay();
    Py_RETURN_NONE;
}

/* ---- hooks ------------------------------------------------------------------------------------------------------------------- */

/* Stores function, None and NULL meaning none. -1 when it cannot be called. */
static int hook_set(const char *setter, PyObject **hook, PyObject *function)
{
    if (!function || function == Py_None) Py_CLEAR(*hook);
    else if (PyCallable_Check(function)) Py_XSETREF(*hook, Py_NewRef(function));
    else {
        PyErr_Format(PyExc_TypeError, "%s(func): argument not callable", setter);
        return -1;
    }
    return 0;
}

/* The answer of a hook without arguments, as a C int; 0 for None and for anything that goes wrong: there is nobody to tell. */
static int hook_call(PyObject *hook)
{
    PyObject *called = Py_NewRef(hook);                 /* it may replace itself */
    PyObject *answer = PyObject_CallNoArgs(called);
    Py_DECREF(called);
    int result = 0;
    if (answer && answer != Py_None && (result = PyLong_AsInt(answer)) == -1 && PyErr_Occurred()) result = 0;
    Py_XDECREF(answer);
    PyErr_Clear();
    return result;
}

static int on_startup(void)
{
    PyGILState_STATE gil = PyGILState_Ensure();
    ReadlineState *state = state_find();
    int result = state && state->startup_hook ? hook_call(state->startup_hook) : 0;
    PyGILState_Release(gil);
    return result;
}

static int on_pre_input(void)
{
    PyGILState_STATE gil = PyGILState_Ensure();
    ReadlineState *state = state_find();
    int result = state && state->pre_input_hook ? hook_call(state->pre_input_hook) : 0;
    PyGILState_Release(gil);
    return result;
}

BUILTIN(readline, set_startup_hook, POSITIONAL, "($module, function=None, /)",
        "Choose what is called, without arguments, just before the first prompt is shown.")
{
    if (hook_set("set_startup_hook", &state_of(self)->startup_hook, arg[0]) < 0) return NULL;
    Py_RETURN_NONE;
}

BUILTIN(readline, set_pre_input_hook, POSITIONAL, "($module, function=None, /)",
        "Choose what is called, without arguments, after the first prompt and before the first character is read.")
{
    if (hook_set("set_pre_input_hook", &state_of(self)->pre_input_hook, arg[0]) < 0) return NULL;
    Py_RETURN_NONE;
}

/* ---- completion -------------------------------------------------------------------------------------------------------------- */

/* The list of texts[1 .. count]; texts[0] is what they have in common. */
static PyObject *matches_list(char **texts, int count)
{
    PyObject *list = PyList_New(count);
    for (int i = 0; list && i < count; i++) {
        PyObject *text = decode(texts[i + 1]);
        if (text) PyList_SET_ITEM(list, i, text);
        else Py_CLEAR(list);
    }
    return list;
}

static void on_display_matches(char **texts, int count, int longest)
{
    PyGILState_STATE gil = PyGILState_Ensure();
    ReadlineState *state = state_find();
    if (state && state->display_matches_hook) {
        PyObject *list = matches_list(texts, count), *common = list ? decode(texts[0]) : NULL;
        PyObject *hook = Py_NewRef(state->display_matches_hook);
        PyObject *answer = common ? PyObject_CallFunction(hook, "OOi", common, list, longest) : NULL;
        Py_DECREF(hook);
        Py_XDECREF(answer);
        Py_XDECREF(common);
        Py_XDECREF(list);
        PyErr_Clear();
    }
    PyGILState_Release(gil);
}

BUILTIN(readline, set_completion_display_matches_hook, POSITIONAL, "($module, function=None, /)",
        "Choose what shows the matches, as function(common, matches, length of the longest).")
{
    PyObject **hook = &state_of(self)->display_matches_hook;
    if (hook_set("set_completion_display_matches_hook", hook, arg[0]) < 0) return NULL;
    rl_completion_display_matches_hook = *hook ? on_display_matches : NULL;
    Py_RETURN_NONE;
}

/* The state'th match as a string for the library to free, NULL after the last. */
static char *on_completion(const char *text, int number)
{
    char *match = NULL;
    PyGILState_STATE gil = PyGILState_Ensure();
    ReadlineState *state = state_find();
    if (state && state->completer) {
        rl_attempted_completion_over = 1;               /* never names of files on top */
        PyObject *completer = Py_NewRef(state->completer), *word = decode(text);
        PyObject *answer = word ? PyObject_CallFunction(completer, "Oi", word, number) : NULL;
        PyObject *bytes = answer && answer != Py_None ? encode(answer) : NULL;
        if (bytes) match = strdup(PyBytes_AS_STRING(bytes));
        Py_XDECREF(bytes);
        Py_XDECREF(answer);
        Py_XDECREF(word);
        Py_DECREF(completer);
        PyErr_Clear();
    }
    PyGILState_Release(gil);
    return match;
}

/* How many characters the first n bytes of the line are; n where that cannot be told. */
static int count_characters(int n)
{
    char *copy = strndup(rl_line_buffer, (size_t)n);
    PyObject *text = copy ? decode(copy) : NULL;
    free(copy);
    if (text) n = (int)PyUnicode_GET_LENGTH(text);
    Py_XDECREF(text);
    PyErr_Clear();
    return n;
}

static char **on_attempt(const char *text, int begin, int end)
{
    PyGILState_STATE gil = PyGILState_Ensure();
    rl_completion_append_character = '\0';
    rl_completion_suppress_append = 0;
    ReadlineState *state = state_find();
    if (state) {
        state->begin = count_characters(begin);
        state->end = count_characters(end);
    }
    char **matches = rl_completion_matches(text, on_completion);
    PyGILState_Release(gil);
    return matches;
}

BUILTIN(readline, set_completer, POSITIONAL, "($module, function=None, /)",
        "Choose what completes words.\n\nIt is called as function(text, state) for state in 0, 1, 2, ... until it returns no string,\nand returns the next of the words that text can become.")
{
    if (hook_set("set_completer", &state_of(self)->completer, arg[0]) < 0) return NULL;
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(readline, get_completer, "($module, /)", "Return what completes words.")
{
    PyObject *completer = state_of(self)->completer;
    return Py_NewRef(completer ? completer : Py_None);
}

BUILTIN_NOARGS(readline, get_completion_type, "($module, /)", "Return the kind of completion that is being tried.") { return PyLong_FromLong(rl_completion_type); }
BUILTIN_NOARGS(readline, get_begidx, "($module, /)", "Return where the word being completed begins.") { return PyLong_FromLong(state_of(self)->begin); }
BUILTIN_NOARGS(readline, get_endidx, "($module, /)", "Return where the word being completed ends.") { return PyLong_FromLong(state_of(self)->end); }

BUILTIN_O(readline, set_completer_delims, "($module, string, /)", "Choose the characters between words, for completion.")
{
    PyObject *bytes = encode(arg);
    if (!bytes) return NULL;
    char *copy = strdup(PyBytes_AS_STRING(bytes));
    Py_DECREF(bytes);
    if (!copy) return PyErr_NoMemory();
    ReadlineState *state = state_of(self);
    rl_completer_word_break_characters = copy;
    free(state->delims);
    state->delims = copy;
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(readline, get_completer_delims, "($module, /)", "Return the characters between words, for completion.")
{
    return decode(rl_completer_word_break_characters);
}

/* ---- reading a line ---------------------------------------------------------------------------------------------------------- */

/* The terminal changed its size. Set by a signal handler, which has no other place to write to, as it has for whom to call next. */
static volatile sig_atomic_t resized;
static PyOS_sighandler_t resize_next;

static void on_resize(int number)
{
    int error = errno;
    resized = 1;
    if (resize_next) resize_next(number);
    errno = error;
}

/* The line that the library is asked for. Its handler gets a text and nothing else; PyOS_Readline lets one thread in at a time. */
static struct { char *text; bool done; } reading;

static void on_line(char *text)
{
    reading.text = text;
    reading.done = true;
    rl_callback_handler_remove();
}

/* Waits for a character within a sequence of keys or a question of the library's own. */
static int on_getc(FILE *file)
{
    int c;
    Py_BEGIN_ALLOW_THREADS
    c = rl_getc(file);
    Py_END_ALLOW_THREADS
    return c;
}

/* What signals have left to do. -1 when a Python handler raised: the line is given up. */
static int after_signal(void)
{
    if (resized) {
        resized = 0;
        rl_resize_terminal();
    }
    if (PyErr_CheckSignals() == 0) return 0;
    rl_free_line_state();
    rl_callback_sigcleanup();
    rl_cleanup_after_signal();
    rl_callback_handler_remove();
    return -1;
}

/* Lets the input hook run ten times a second. A signal that comes just before the wait is noticed when that is over: twice a second
 * at least. As poll(), with the number of the error. */
static int wait_for_input(int *error)
{
    struct pollfd input = { .fd = fileno(rl_instream), .events = POLLIN };
    int ready;
    Py_BEGIN_ALLOW_THREADS
    ready = poll(&input, 1, PyOS_InputHook ? 100 : 500);
    *error = errno;
    if (PyOS_InputHook) PyOS_InputHook();
    Py_END_ALLOW_THREADS
    return ready;
}

/* 0 with the line (NULL at the end of input), or -1 with an exception. */
static int line_edit(const char *prompt, char **line)
{
    rl_catch_signals = 0;                     /* they are the interpreter's */
    rl_getc_function = on_getc;
    reading.text = NULL;
    reading.done = false;
    rl_callback_handler_install(prompt, on_line);
    while (!reading.done) {
        if (after_signal() < 0) return -1;
        int error, ready = wait_for_input(&error);
        if (ready > 0) rl_callback_read_char();
        else if (ready < 0 && error != EINTR) on_line(NULL);
    }
    *line = reading.text;
    return 0;
}

/* Into the history, unless it is what was typed last. */
static void line_remember(const char *line)
{
    ReadlineState *state = state_find();
    if (!*line || !state || !state->auto_history) return;
    int count = history_count();
    HIST_ENTRY *last = count > 0 ? history_get(history_base + count - 1) : NULL;
    if (!last || strcmp(last->line, line) != 0) add_history(line);
}

/* The line with its newline, "" at the end of input, PyMem_RawMalloc'ed; NULL with an exception. */
static char *line_read(FILE *in, FILE *out, const char *prompt)
{
    char *saved = locale_enter(), *line = NULL, *result = NULL;
    if (!saved) return (char *)PyErr_NoMemory();
    if (in != rl_instream || out != rl_outstream) {
        rl_instream = in;
        rl_outstream = out;
        rl_prep_terminal(1);
    }
    int status = line_edit(prompt, &line);
    if (line) line_remember(line);
    locale_restore(saved);
    if (status < 0) return NULL;
    size_t n = line ? strlen(line) : 0;
    if ((result = PyMem_RawMalloc(n + 2))) {
        memcpy(result, line ? line : "", n);
        if (line) result[n++] = '\n';
        result[n] = 0;
    }
    else PyErr_NoMemory();
    free(line);
    return result;
}

/* What PyOS_ReadlineFunctionPointer points to, called without the GIL. */
static char *on_readline(FILE *in, FILE *out, const char *prompt)
{
    PyEval_RestoreThread(_PyOS_ReadlineTState);
    char *line = line_read(in, out, prompt);
    PyEval_SaveThread();
    return line;
}

/* ---- the module -------------------------------------------------------------------------------------------------------------- */

static PyMethodDef readline_methods[] = {
    METHOD(readline, parse_and_bind), METHOD(readline, get_line_buffer), METHOD(readline, insert_text), METHOD(readline, redisplay),
    METHOD(readline, read_init_file), METHOD(readline, read_history_file), METHOD(readline, write_history_file),
    METHOD(readline, append_history_file), METHOD(readline, get_history_item), METHOD(readline, get_current_history_length),
    METHOD(readline, set_history_length), METHOD(readline, get_history_length), METHOD(readline, set_completer), METHOD(readline, get_completer),
    METHOD(readline, get_completion_type), METHOD(readline, get_begidx), METHOD(readline, get_endidx), METHOD(readline, set_completer_delims),
    METHOD(readline, set_auto_history), METHOD(readline, add_history), METHOD(readline, remove_history_item),
    METHOD(readline, replace_history_item), METHOD(readline, get_completer_delims), METHOD(readline, set_completion_display_matches_hook),
    METHOD(readline, set_startup_hook), METHOD(readline, set_pre_input_hook), METHOD(readline, clear_history), {0}
};

static int readline_traverse(PyObject *module, visitproc visit, void *arg)
{
    ReadlineState *state = state_of(module);
    Py_VISIT(state->completer);
    Py_VISIT(state->display_matches_hook);
    Py_VISIT(state->startup_hook);
    Py_VISIT(state->pre_input_hook);
    return 0;
}

static int readline_clear(PyObject *module)
{
    ReadlineState *state = state_of(module);
    Py_CLEAR(state->completer);
    Py_CLEAR(state->display_matches_hook);
    Py_CLEAR(state->startup_hook);
    Py_CLEAR(state->pre_input_hook);
    return 0;
}

static void readline_free(void *module)
{
    ReadlineState *state = state_of(module);
    readline_clear(module);
    if (rl_completer_word_break_characters == state->delims) rl_completer_word_break_characters = (char *)rl_basic_word_break_characters;
    free(state->delims);
    state->delims = NULL;
}

static PyModuleDef readline_module = {
    PyModuleDef_HEAD_INIT, "readline", "Line editing, completion and history by GNU readline.", sizeof(ReadlineState), readline_methods,
    NULL, readline_traverse, readline_clear, readline_free
};

/* Keys are bound before the library reads the user's file, which may bind them otherwise. */
static int library_setup(ReadlineState *state)
{
    char *saved = locale_enter();
    if (!saved || !(state->delims = strdup(" \t\n`~!@#$%^&*()-=+[{]}\\|;:'\",<>/?"))) {
        locale_restore(saved);
        PyErr_NoMemory();
        return -1;
    }
    state->history_length = -1;
    state->auto_history = true;
    using_history();
    rl_readline_name = "python";
    rl_bind_key('\t', rl_insert);
    rl_bind_key_in_map('\t', rl_complete, emacs_meta_keymap);
    rl_bind_key_in_map('\033', rl_complete, emacs_meta_keymap);
    if (PyOS_getsig(SIGWINCH) != on_resize) resize_next = PyOS_setsig(SIGWINCH, on_resize);
    rl_startup_hook = on_startup;
    rl_pre_input_hook = on_pre_input;
    rl_attempted_completion_function = on_attempt;
    rl_completion_append_character = '\0';
    rl_completer_word_break_characters = state->delims;
    /* Else the library writes a sequence that switches the meta key on, even into a pipe. */
    if (!isatty(STDOUT_FILENO)) rl_variable_bind("enable-meta-key", "off");
    rl_initialize();
    disable_bracketed_paste();
    locale_restore(saved);
    return 0;
}

PyMODINIT_FUNC PyInit_readline(void)
{
    PyObject *module = PyModule_Create(&readline_module);
    if (!module) return NULL;
    if (PyModule_AddStringConstant(module, "backend", "readline") < 0 ||
        PyModule_AddIntConstant(module, "_READLINE_VERSION", RL_READLINE_VERSION) < 0 ||
        PyModule_AddIntConstant(module, "_READLINE_RUNTIME_VERSION", rl_readline_version) < 0 ||
        PyModule_AddStringConstant(module, "_READLINE_LIBRARY_VERSION", rl_library_version) < 0 ||
        library_setup(state_of(module)) < 0) {
        Py_DECREF(module);
        return NULL;
    }
    PyOS_ReadlineFunctionPointer = on_readline;
    return module;
}
