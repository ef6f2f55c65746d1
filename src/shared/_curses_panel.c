/* The _curses_panel module: windows in a stack.
 *
 * The library gives a PANEL one pointer for its user: here it leads back to the object, which holds what Python's user gave. */
#include "capi/args.h"

#define NCURSES_NOMACROS
#define CURSES_MODULE
#include <py_curses.h>
#include <panel.h>

typedef struct PanelState {
    PyObject *error;
    PyTypeObject *type;
    void **api;                               /* that of _curses */
} PanelState;

typedef struct Panel {
    PyObject_HEAD
    PANEL *pan;
    PyCursesWindowObject *window;
    PyObject *user;                           /* NULL until set_userptr() */
} Panel;

static PyModuleDef panel_module;

#define PANEL_OF(o) (((Panel *)(o))->pan)

static PanelState *state_of_module(PyObject *module) { return PyModule_GetState(module); }
static PanelState *state_of(PyObject *panel) { return PyModule_GetState(PyType_GetModuleByDef(Py_TYPE(panel), &panel_module)); }

static int need_screen(PyObject *module) { return ((int (*)(void))(uintptr_t)state_of_module(module)->api[2])(); }

static PyObject *check(PyObject *error, int code, const char *name)
{
    if (code != ERR) Py_RETURN_NONE;
    PyErr_Format(error, "%s() returned ERR", name);
    return NULL;
}

/* The object of a panel of the library; None for NULL. */
static PyObject *object_of(PANEL *pan, const char *complaint)
{
    if (!pan) Py_RETURN_NONE;
    PyObject *o = (PyObject *)(uintptr_t)panel_userptr(pan);
    if (o) return Py_NewRef(o);
    PyErr_SetString(PyExc_RuntimeError, complaint);
    return NULL;
}

static int refuse_arguments(const char *name, Py_ssize_t nargs, PyObject *kwnames)
{
    if (!nargs && (!kwnames || !PyTuple_GET_SIZE(kwnames))) return 0;
    PyErr_Format(PyExc_TypeError, "%s() takes no arguments", name);
    return -1;
}

/* Methods are pane_...: most names that begin with panel_ are the library's. */
#define STACK_CALL(method, function, text)                                                    \
    BUILTIN_RAW(pane, method, "($self, /)", text)                                            \
    {                                                                                         \
        if (refuse_arguments(#method, nargs, kwnames) < 0) return NULL;                       \
        return check(state_of(self)->error, function(PANEL_OF(self)), #method);               \
    }

STACK_CALL(bottom, bottom_panel, "Move the panel below all others.")
STACK_CALL(hide, hide_panel, "Hide the panel.")
STACK_CALL(show, show_panel, "Show the panel again.")
STACK_CALL(top, top_panel, "Move the panel above all others.")

BUILTIN_NOARGS(pane, above, "($self, /)", "Return the panel above this one, or None.") { return object_of(panel_above(PANEL_OF(self)), "panel_above: can't find Panel Object"); }
BUILTIN_NOARGS(pane, below, "($self, /)", "Return the panel below this one, or None.") { return object_of(panel_below(PANEL_OF(self)), "panel_below: can't find Panel Object"); }
BUILTIN_NOARGS(pane, hidden, "($self, /)", "Tell whether the panel is hidden.") { return PyBool_FromLong(panel_hidden(PANEL_OF(self))); }
BUILTIN_NOARGS(pane, window, "($self, /)", "Return the panel's window.") { return Py_NewRef((PyObject *)((Panel *)self)->window); }

BUILTIN(pane, move, KEYWORDS, "($self, y, x, /)", "Move the panel to a place of the screen.")
{
    int y = PyLong_AsInt(arg[0]);
    if (y == -1 && PyErr_Occurred()) return NULL;
    int x = PyLong_AsInt(arg[1]);
    if (x == -1 && PyErr_Occurred()) return NULL;
    return check(state_of(self)->error, move_panel(PANEL_OF(self), y, x), "move_panel");
}

/* A window, or NULL with TypeError. */
static PyCursesWindowObject *window_argument(PanelState *state, PyObject *o, const char *where)
{
    if (PyObject_TypeCheck(o, (PyTypeObject *)state->api[0])) return (PyCursesWindowObject *)o;
    PyErr_Format(PyExc_TypeError, "%s must be _curses.window, not %.50s", where, o == Py_None ? "None" : Py_TYPE(o)->tp_name);
    return NULL;
}

BUILTIN(pane, replace, KEYWORDS, "($self, win, /)", "Give the panel another window.")
{
    PanelState *state = state_of(self);
    PyCursesWindowObject *window = window_argument(state, arg[0], "replace() argument 1");
    if (!window) return NULL;
    if (replace_panel(PANEL_OF(self), window->win) == ERR) {
        PyErr_SetString(state->error, "replace_panel() returned ERR");
        return NULL;
    }
    Py_INCREF(window);
    Py_SETREF(((Panel *)self)->window, window);
    Py_RETURN_NONE;
}

BUILTIN(pane, set_userptr, KEYWORDS, "($self, obj, /)", "Keep an object with the panel.")
{
    Py_XSETREF(((Panel *)self)->user, Py_NewRef(arg[0]));
    Py_RETURN_NONE;
}

BUILTIN_RAW(pane, userptr, "($self, /)", "Return the object that is kept with the panel.")
{
    if (refuse_arguments("userptr", nargs, kwnames) < 0) return NULL;
    PyObject *user = ((Panel *)self)->user;
    if (user) return Py_NewRef(user);
    PyErr_SetString(state_of(self)->error, "no userptr set");
    return NULL;
}

static void panel_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    Panel *panel = (Panel *)self;
    if (panel->pan) del_panel(panel->pan);
    panel->pan = NULL;
    Py_XDECREF(panel->window);
    Py_XDECREF(panel->user);
    PyObject_Free(self);
    Py_DECREF(type);
}

static PyMethodDef panel_methods[] = {
    METHOD(pane, above), METHOD(pane, below), METHOD(pane, bottom), METHOD(pane, hidden), METHOD(pane, hide), METHOD(pane, move),
    METHOD(pane, replace), METHOD(pane, set_userptr), METHOD(pane, show), METHOD(pane, top), METHOD(pane, userptr), METHOD(pane, window), {0}
};

static PyType_Slot panel_slots[] = { { Py_tp_dealloc, panel_dealloc }, { Py_tp_methods, panel_methods }, {0} };
static PyType_Spec panel_spec = { "_curses_panel.panel", sizeof(Panel), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, panel_slots };

BUILTIN_NOARGS(curses_panel, bottom_panel, "($module, /)", "Return the lowest panel, or None.")
{
    return need_screen(self) ? object_of(panel_above(NULL), "panel_above: can't find Panel Object") : NULL;
}

BUILTIN_NOARGS(curses_panel, top_panel, "($module, /)", "Return the highest panel, or None.")
{
    return need_screen(self) ? object_of(panel_below(NULL), "panel_below: can't find Panel Object") : NULL;
}

BUILTIN_O(curses_panel, new_panel, "($module, win, /)", "Put a window into the stack, above all others; return its panel.")
{
    PanelState *state = state_of_module(self);
    PyCursesWindowObject *window = window_argument(state, arg, "new_panel() argument");
    if (!window || !need_screen(self)) return NULL;
    Panel *panel = PyObject_New(Panel, state->type);
    if (!panel) return NULL;
    panel->user = NULL;
    panel->window = (PyCursesWindowObject *)Py_NewRef((PyObject *)window);
    if (!(panel->pan = new_panel(window->win))) {
        PyErr_SetString(state->error, "curses function returned NULL");
        Py_DECREF(panel);
        return NULL;
    }
    set_panel_userptr(panel->pan, panel);
    return (PyObject *)panel;
}

BUILTIN_NOARGS(curses_panel, update_panels, "($module, /)", "Mark what the panels show, for doupdate().")
{
    if (!need_screen(self)) return NULL;
    update_panels();
    Py_RETURN_NONE;
}

static PyMethodDef curses_panel_methods[] = {
    METHOD(curses_panel, bottom_panel), METHOD(curses_panel, new_panel), METHOD(curses_panel, top_panel), METHOD(curses_panel, update_panels), {0}
};

static int module_exec(PyObject *module)
{
    PanelState *state = state_of_module(module);
    if (!(state->api = PyCapsule_Import(PyCurses_CAPSULE_NAME, 1))) return -1;
    if (!(state->type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &panel_spec, NULL)) || PyModule_AddType(module, state->type) < 0) return -1;
    if (!(state->error = PyErr_NewException("_curses_panel.error", NULL, NULL)) || PyModule_AddObjectRef(module, "error", state->error) < 0) return -1;
    return PyModule_AddStringConstant(module, "version", "2.1") < 0 || PyModule_AddStringConstant(module, "__version__", "2.1") < 0 ? -1 : 0;
}

static int module_traverse(PyObject *module, visitproc visit, void *arg)
{
    Py_VISIT(state_of_module(module)->error);
    Py_VISIT(state_of_module(module)->type);
    return 0;
}

static int module_clear(PyObject *module)
{
    Py_CLEAR(state_of_module(module)->error);
    Py_CLEAR(state_of_module(module)->type);
    return 0;
}

static void module_free(void *module) { module_clear(module); }

static PyModuleDef_Slot module_slots[] = {
    { Py_mod_exec, module_exec }, { Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED }, { Py_mod_gil, Py_MOD_GIL_NOT_USED }, {0}
};

static PyModuleDef panel_module = {
    PyModuleDef_HEAD_INIT, "_curses_panel", NULL, sizeof(PanelState), curses_panel_methods, module_slots, module_traverse, module_clear, module_free
};

PyMODINIT_FUNC PyInit__curses_panel(void) { return PyModuleDef_Init(&panel_module); }
