/* The module _asyncio: which loop runs in a thread, which task runs in a loop, and the sets of all tasks. */
#include "asyncio_private.h"

static AsyncioState *state(PyObject *module) { return PyModule_GetState(module); }

/* ---- running loop ------------------------------------------------------------------------------------------------------------- */

/* The loop is in the thread's dict; the state remembers the one asked for last. Thread ids are not used again. */
static int asyncio_running_loop(AsyncioState *s, PyObject **loop)
{
    PyThreadState *ts = PyThreadState_Get();
    *loop = NULL;
    if (s->running_thread != ts->id || !s->running_loop) {
        PyObject *dict = PyThreadState_GetDict();
        if (!dict) {
            PyErr_SetString(PyExc_RuntimeError, "thread-local storage is not available");
            return -1;
        }
        PyObject *found = PyDict_GetItemWithError(dict, STR(__asyncio_running_event_loop__));
        if (!found) return PyErr_Occurred() ? -1 : 0;
        s->running_loop = found;
        s->running_thread = ts->id;
    }
    if (s->running_loop != Py_None) *loop = Py_NewRef(s->running_loop);
    return 0;
}

static int set_running_loop(AsyncioState *s, PyObject *loop)
{
    PyObject *dict = PyThreadState_GetDict();
    if (!dict) {
        PyErr_SetString(PyExc_RuntimeError, "thread-local storage is not available");
        return -1;
    }
    s->running_loop = NULL;
    if (PyDict_SetItem(dict, STR(__asyncio_running_event_loop__), loop) < 0) return -1;
    s->running_loop = loop;
    s->running_thread = PyThreadState_Get()->id;
    return 0;
}

PyObject *asyncio_event_loop(AsyncioState *s)
{
    PyObject *loop;
    if (asyncio_running_loop(s, &loop) < 0) return NULL;
    if (loop) return loop;
    PyObject *policy = PyObject_CallNoArgs(s->get_event_loop_policy);
    if (policy) loop = PyObject_CallMethod(policy, "get_event_loop", NULL);
    Py_XDECREF(policy);
    return loop;
}

BUILTIN_NOARGS(asyncio, _get_running_loop, "($module, /)", "The loop that runs in this thread, or None.")
{
    PyObject *loop;
    if (asyncio_running_loop(state(self), &loop) < 0) return NULL;
    return loop ? loop : Py_NewRef(Py_None);
}

BUILTIN_O(asyncio, _set_running_loop, "($module, loop, /)", "Say which loop runs in this thread, or None.")
{
    if (set_running_loop(state(self), arg) < 0) return NULL;
    Py_RETURN_NONE;
}

static COLD PyObject *no_running_loop(void)
{
    PyErr_SetString(PyExc_RuntimeError, "no running event loop");
    return NULL;
}

BUILTIN_NOARGS(asyncio, get_running_loop, "($module, /)", "The loop that runs in this thread; RuntimeError when there is none.")
{
    PyObject *loop;
    if (asyncio_running_loop(state(self), &loop) < 0) return NULL;
    return loop ? loop : no_running_loop();
}

BUILTIN_NOARGS(asyncio, get_event_loop, "($module, /)", "The running loop, or what the policy's get_event_loop() gives.")
{
    return asyncio_event_loop(state(self));
}

/* ---- tasks ------------------------------------------------------------------------------------------------------------------------ */

/* What WeakSet.add() does, without the call. */
int asyncio_register_task(AsyncioState *s, PyObject *task)
{
    if (s->scheduled_refs && PyList_GET_SIZE(s->scheduled_pending) == 0) {
        PyObject *ref = PyWeakref_NewRef(task, s->scheduled_remove);
        int status = ref ? PySet_Add(s->scheduled_refs, ref) : -1;
        Py_XDECREF(ref);
        return status;
    }
    PyObject *added = PyObject_CallMethod(s->scheduled_tasks, "add", "O", task);
    Py_XDECREF(added);
    return added ? 0 : -1;
}

int asyncio_enter_task(AsyncioState *s, PyObject *loop, PyObject *task)
{
    PyObject *current;
    int found = PyDict_SetDefaultRef(s->current_tasks, loop, task, &current);
    if (found <= 0) {
        Py_XDECREF(current);
        return found;
    }
    PyErr_Format(PyExc_RuntimeError, "Cannot enter into task %R while another task %R is being executed.", task, current);
    Py_DECREF(current);
    return -1;
}

int asyncio_leave_task(AsyncioState *s, PyObject *loop, PyObject *task)
{
    PyObject *current;
    if (PyDict_GetItemRef(s->current_tasks, loop, &current) < 0) return -1;
    if (current == task) {
        Py_DECREF(current);
        return PyDict_DelItem(s->current_tasks, loop);
    }
    PyErr_Format(PyExc_RuntimeError, "Leaving task %R does not match the current task %R.", task, current ? current : Py_None);
    Py_XDECREF(current);
    return -1;
}

/* The previous task, or None. */
PyObject *asyncio_swap_task(AsyncioState *s, PyObject *loop, PyObject *task)
{
    PyObject *previous;
    if (PyDict_GetItemRef(s->current_tasks, loop, &previous) < 0) return NULL;
    int status = task != Py_None ? PyDict_SetItem(s->current_tasks, loop, task)
                 : previous      ? PyDict_DelItem(s->current_tasks, loop)
                                 : 0;
    if (status == 0) return previous ? previous : Py_NewRef(Py_None);
    Py_XDECREF(previous);
    return NULL;
}

static PyObject *none_or_error(int status)
{
    if (status < 0) return NULL;
    Py_RETURN_NONE;
}

BUILTIN(asyncio, current_task, KEYWORDS, "($module, /, loop=None)", "The task that runs in the loop, or None.")
{
    AsyncioState *s = state(self);
    PyObject *loop = arg[0], *task;
    if (loop && loop != Py_None) {
        Py_INCREF(loop);
    } else {
        if (asyncio_running_loop(s, &loop) < 0) return NULL;
        if (!loop) return no_running_loop();
    }
    int found = PyDict_GetItemRef(s->current_tasks, loop, &task);
    Py_DECREF(loop);
    return found < 0 ? NULL : task ? task : Py_NewRef(Py_None);
}

BUILTIN(asyncio, _register_task, KEYWORDS, "($module, /, task)", "Remember a task that a loop executes.")
{
    return none_or_error(asyncio_register_task(state(self), arg[0]));
}

BUILTIN(asyncio, _register_eager_task, KEYWORDS, "($module, /, task)", "Remember a task in its eager first step.")
{
    return none_or_error(PySet_Add(state(self)->eager_tasks, arg[0]));
}

BUILTIN(asyncio, _unregister_task, KEYWORDS, "($module, /, task)", "Forget a task.")
{
    return PyObject_CallMethod(state(self)->scheduled_tasks, "discard", "O", arg[0]);
}

BUILTIN(asyncio, _unregister_eager_task, KEYWORDS, "($module, /, task)", "Forget a task after its eager first step.")
{
    return none_or_error(PySet_Discard(state(self)->eager_tasks, arg[0]));
}

BUILTIN(asyncio, _enter_task, KEYWORDS, "($module, /, loop, task)", "The loop begins to execute the task, or resumes it.")
{
    return none_or_error(asyncio_enter_task(state(self), arg[0], arg[1]));
}

BUILTIN(asyncio, _leave_task, KEYWORDS, "($module, /, loop, task)", "The loop ends or suspends execution of the task.")
{
    return none_or_error(asyncio_leave_task(state(self), arg[0], arg[1]));
}

BUILTIN(asyncio, _swap_current_task, KEYWORDS, "($module, /, loop, task)", "Put another task in place of the current one, which is returned.")
{
    return asyncio_swap_task(state(self), arg[0], arg[1]);
}

/* ---- module --------------------------------------------------------------------------------------------------------------------------- */

static int import_needed(AsyncioState *s)
{
    const struct { const char *module, *name; PyObject **place; } needed[] = {
        { "asyncio.events", "get_event_loop_policy", &s->get_event_loop_policy },
        { "asyncio.base_futures", "_future_repr", &s->future_repr },
        { "asyncio.exceptions", "InvalidStateError", &s->InvalidStateError },
        { "asyncio.exceptions", "CancelledError", &s->CancelledError },
        { "asyncio.base_tasks", "_task_repr", &s->task_repr },
        { "asyncio.base_tasks", "_task_get_stack", &s->task_get_stack },
        { "asyncio.base_tasks", "_task_print_stack", &s->task_print_stack },
        { "asyncio.coroutines", "iscoroutine", &s->iscoroutine },
        { "traceback", "extract_stack", &s->extract_stack },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(needed); i++) {
        PyObject *module = PyImport_ImportModule(needed[i].module);
        if (!module) return -1;
        *needed[i].place = PyObject_GetAttrString(module, needed[i].name);
        Py_DECREF(module);
        if (!*needed[i].place) return -1;
    }
    return 0;
}

/* The set of weak references to all tasks, and the parts of it that adding needs. */
static int make_scheduled_tasks(AsyncioState *s)
{
    PyObject *module = PyImport_ImportModule("weakref"), *type = module ? PyObject_GetAttrString(module, "WeakSet") : NULL;
    Py_XDECREF(module);
    s->scheduled_tasks = type ? PyObject_CallNoArgs(type) : NULL;
    Py_XDECREF(type);
    if (!s->scheduled_tasks || !(s->scheduled_refs = PyObject_GetAttrString(s->scheduled_tasks, "data")) ||
        !(s->scheduled_pending = PyObject_GetAttrString(s->scheduled_tasks, "_pending_removals")) ||
        !(s->scheduled_remove = PyObject_GetAttrString(s->scheduled_tasks, "_remove"))) return -1;
    if (!PySet_CheckExact(s->scheduled_refs) || !PyList_CheckExact(s->scheduled_pending)) Py_CLEAR(s->scheduled_refs);
    return 0;
}

static int make_type(PyObject *module, PyType_Spec *spec, PyTypeObject *base, PyTypeObject **place)
{
    *place = (PyTypeObject *)PyType_FromModuleAndSpec(module, spec, (PyObject *)base);
    return *place ? 0 : -1;
}

static int asyncio_exec(PyObject *module)
{
    AsyncioState *s = state(module);
    if (make_type(module, &step_wrapper_spec, NULL, &s->step_wrapper) < 0 || make_type(module, &future_iter_spec, NULL, &s->iterator) < 0 ||
        make_type(module, &future_spec, NULL, &s->future) < 0 || make_type(module, &task_spec, s->future, &s->task) < 0) return -1;
    if (PyModule_AddType(module, s->future) < 0 || PyModule_AddType(module, s->task) < 0) return -1;
    if (!(s->context_keyword = Py_BuildValue("(s)", "context")) || !(s->coroutine_types = PySet_New(NULL)) ||
        !(s->eager_tasks = PySet_New(NULL)) || !(s->current_tasks = PyDict_New())) return -1;
    if (import_needed(s) < 0 || make_scheduled_tasks(s) < 0) return -1;
    return PyModule_AddObjectRef(module, "_scheduled_tasks", s->scheduled_tasks) < 0 ||
           PyModule_AddObjectRef(module, "_eager_tasks", s->eager_tasks) < 0 ||
           PyModule_AddObjectRef(module, "_current_tasks", s->current_tasks) < 0 ? -1 : 0;
}

#define STATE_OBJECTS(DO)                                                                                                                  \
    DO(future) DO(task) DO(iterator) DO(step_wrapper) DO(get_event_loop_policy) DO(iscoroutine) DO(future_repr) DO(task_repr)               \
    DO(task_get_stack) DO(task_print_stack) DO(extract_stack) DO(InvalidStateError) DO(CancelledError) DO(scheduled_tasks)                  \
    DO(scheduled_refs) DO(scheduled_pending) DO(scheduled_remove) DO(eager_tasks) DO(current_tasks) DO(coroutine_types) DO(context_keyword)

static int asyncio_traverse(PyObject *module, visitproc visit, void *arg)
{
    AsyncioState *s = state(module);
#define VISIT_ONE(name) Py_VISIT(s->name);
    STATE_OBJECTS(VISIT_ONE)
    return 0;
}

static int asyncio_clear(PyObject *module)
{
    AsyncioState *s = state(module);
    s->running_loop = NULL;
#define CLEAR_ONE(name) Py_CLEAR(s->name);
    STATE_OBJECTS(CLEAR_ONE)
    return 0;
}

static void asyncio_free(void *module) { asyncio_clear(module); }

static PyMethodDef asyncio_methods[] = {
    METHOD(asyncio, current_task), METHOD(asyncio, get_event_loop), METHOD(asyncio, get_running_loop), METHOD(asyncio, _get_running_loop),
    METHOD(asyncio, _set_running_loop), METHOD(asyncio, _register_task), METHOD(asyncio, _register_eager_task),
    METHOD(asyncio, _unregister_task), METHOD(asyncio, _unregister_eager_task), METHOD(asyncio, _enter_task), METHOD(asyncio, _leave_task),
    METHOD(asyncio, _swap_current_task), {0},
};

static PyModuleDef_Slot asyncio_slots[] = { SLOT(mod_exec, asyncio_exec), MODULE_SLOTS_COMMON, {0} };

struct PyModuleDef asyncio_module = {
    PyModuleDef_HEAD_INIT, .m_name = "_asyncio", .m_doc = "Accelerator module for asyncio", .m_size = sizeof(AsyncioState),
    .m_methods = asyncio_methods, .m_slots = asyncio_slots, .m_traverse = asyncio_traverse, .m_clear = asyncio_clear, .m_free = asyncio_free,
};

PyMODINIT_FUNC PyInit__asyncio(void) { return PyModuleDef_Init(&asyncio_module); }
