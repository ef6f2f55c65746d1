/* sys: its functions. The attributes that describe the build and the configuration are made in sys_info.c. */
#include "runtime/state.h"
#include "runtime/runtime_private.h"
#include "modules/sys_private.h"
#include "runtime/errors.h"
#include "capi/args.h"

#include <dlfcn.h>
#include <signal.h>
#include <string.h>

#define P (&_PyRuntime.runtime)

/* ---- attributes from C ------------------------------------------------------------------------------------------ */

PyObject *sys_get(PyObject *name)
{
    Thread *t = thread_current;
    PyObject *dict = t ? t->ts.interp->runtime.sysdict : NULL;
    if (!dict) return NULL;
    PyObject *saved = PyErr_GetRaisedException();
    PyObject *value = PyDict_GetItemWithError(dict, name);
    PyErr_SetRaisedException(saved);
    return value;
}

int sys_set(PyObject *name, PyObject *value)
{
    PyObject *dict = interp_get()->runtime.sysdict;
    if (!dict) return 0;
    if (value) return PyDict_SetItem(dict, name, value);
    return PyDict_Pop(dict, name, NULL) < 0 ? -1 : 0;
}

PyObject *PySys_GetObject(const char *name)
{
    PyObject *saved = PyErr_GetRaisedException();
    PyObject *key = PyUnicode_FromString(name), *value = key ? sys_get(key) : NULL;
    Py_XDECREF(key);
    if (UNLIKELY(PyErr_Occurred())) PyErr_FormatUnraisable("Exception ignored on calling PySys_GetObject()");
    PyErr_SetRaisedException(saved);
    return value;
}

int PySys_SetObject(const char *name, PyObject *value)
{
    PyObject *key = PyUnicode_InternFromString(name);
    if (!key) return -1;
    int status = sys_set(key, value);
    Py_DECREF(key);
    return status;
}

/* ---- hooks ------------------------------------------------------------------------------------------------------ */

/* stdout cannot encode the text: write bytes with backslashreplace, through .buffer when there is one. */
static int display_unencodable(PyObject *out, PyObject *object)
{
    int status = -1;
    PyObject *encoding = NULL, *text = NULL, *bytes = NULL, *buffer = NULL, *result = NULL;
    if (!(encoding = PyObject_GetAttr(out, STR(encoding)))) goto done;
    const char *name = PyUnicode_AsUTF8(encoding);
    if (!name) goto done;
    if (!(text = PyObject_Repr(object))) goto done;
    if (!(bytes = PyUnicode_AsEncodedString(text, name, "backslashreplace"))) goto done;
    if (PyObject_GetOptionalAttrString(out, "buffer", &buffer) < 0) goto done;
    if (buffer) {
        if (!(result = PyObject_CallMethodOneArg(buffer, STR(write), bytes))) goto done;
        status = 0;
    }
    else {
        Py_SETREF(text, PyUnicode_FromEncodedObject(bytes, name, "strict"));
        if (text) status = PyFile_WriteObject(text, out, Py_PRINT_RAW);
    }
done:
    Py_XDECREF(encoding);
    Py_XDECREF(text);
    Py_XDECREF(bytes);
    Py_XDECREF(buffer);
    Py_XDECREF(result);
    return status;
}

BUILTIN_O(sys, displayhook, "($module, object, /)", "Print an object to sys.stdout and also save it in builtins._\n")
{
    PyObject *builtins = PyImport_GetModule(STR(builtins));
    if (!builtins) {
        if (!PyErr_Occurred()) PyErr_SetString(PyExc_RuntimeError, "lost builtins module");
        return NULL;
    }
    Py_DECREF(builtins);
    if (arg == Py_None) Py_RETURN_NONE;
    if (PyObject_SetAttrString(builtins, "_", Py_None) < 0) return NULL;
    PyObject *out = sys_get(STR(stdout));
    if (!out || out == Py_None) {
        PyErr_SetString(PyExc_RuntimeError, "lost sys.stdout");
        return NULL;
    }
    Py_INCREF(out);
    int status = PyFile_WriteObject(arg, out, 0);
    if (status < 0 && PyErr_ExceptionMatches(PyExc_UnicodeEncodeError)) {
        PyErr_Clear();
        status = display_unencodable(out, arg);
    }
    if (status == 0) status = PyFile_WriteString("\n", out);
    if (status == 0) status = PyObject_SetAttrString(builtins, "_", arg);
    Py_DECREF(out);
    if (status < 0) return NULL;
    Py_RETURN_NONE;
}

BUILTIN(sys, excepthook, POSITIONAL, "($module, exctype, value, traceback, /)",
        "Handle an exception by displaying it with a traceback on sys.stderr.")
{
    PyErr_Display(NULL, arg[1], arg[2]);
    Py_RETURN_NONE;
}

BUILTIN_O(sys, unraisablehook, "($module, unraisable, /)",
          "Handle an unraisable exception.\n\n"
          "The unraisable argument has the attributes exc_type, exc_value, exc_traceback, err_msg and object.")
{
    return errors_unraisable_hook(self, arg);
}

/* breakpoint(): calls what PYTHONBREAKPOINT names. */
BUILTIN_RAW(sys, breakpointhook, "($module, /, *args, **kwargs)", "This hook function is called by built-in breakpoint().")
{
    const char *env = Py_GETENV("PYTHONBREAKPOINT");
    char *name = NULL, *dot;
    PyObject *module = NULL, *hook = NULL, *result = NULL;
    if (!env || !*env) env = "pdb.set_trace";
    else if (strcmp(env, "0") == 0) Py_RETURN_NONE;
    if (!(name = PyMem_RawMalloc(strlen(env) + 1))) return PyErr_NoMemory();
    strcpy(name, env);
    const char *attribute = name;
    if (!(dot = strrchr(name, '.'))) module = PyImport_ImportModule("builtins");
    else if (dot != name) {
        *dot = 0;
        attribute = dot + 1;
        module = PyImport_ImportModule(name);
    }
    if (module) hook = PyObject_GetAttrString(module, attribute);
    if ((!module && dot == name) || (!module && PyErr_ExceptionMatches(PyExc_ImportError)) ||
        (module && !hook && PyErr_ExceptionMatches(PyExc_AttributeError))) {
        PyErr_Clear();
        if (PyErr_WarnFormat(PyExc_RuntimeWarning, 0, "Ignoring unimportable $PYTHONBREAKPOINT: \"%s\"", env) == 0)
            result = Py_NewRef(Py_None);
    }
    else if (hook) result = PyObject_Vectorcall(hook, args, (size_t)nargs, kwnames);
    Py_XDECREF(module);
    Py_XDECREF(hook);
    PyMem_RawFree(name);
    return result;
}

BUILTIN_NOARGS(sys, exception, "($module, /)",
               "Return the current exception.\n\n"
               "Return the most recent exception caught by an except clause\n"
               "in the current stack frame or in an older stack frame, or None\n"
               "if no such clause exists.")
{
    PyObject *exception = PyErr_GetHandledException();
    return exception ? exception : Py_NewRef(Py_None);
}

BUILTIN_NOARGS(sys, exc_info, "($module, /)",
               "Return current exception information: (type, value, traceback).\n\n"
               "Return information about the most recent exception caught by an except\n"
               "clause in the current stack frame or in an older stack frame.")
{
    PyObject *exception = PyErr_GetHandledException();
    if (!exception) return PyTuple_Pack(3, Py_None, Py_None, Py_None);
    PyObject *traceback = PyException_GetTraceback(exception);
    PyObject *result = PyTuple_Pack(3, (PyObject *)Py_TYPE(exception), exception, traceback ? traceback : Py_None);
    Py_XDECREF(traceback);
    Py_DECREF(exception);
    return result;
}

BUILTIN(sys, exit, POSITIONAL, "($module, status=None, /)",
        "Exit the interpreter by raising SystemExit(status).\n\n"
        "If the status is omitted or None, it defaults to zero (i.e., success).\n"
        "If the status is an integer, it will be used as the system exit status.\n"
        "If it is another kind of object, it will be printed and the system\n"
        "exit status will be one (i.e., failure).")
{
    PyErr_SetObject(PyExc_SystemExit, arg[0] ? arg[0] : Py_None);
    return NULL;
}

/* ---- audit ------------------------------------------------------------------------------------------------------ */

BUILTIN(sys, addaudithook, KEYWORDS, "($module, /, hook)", "Adds a new audit hook callback.")
{
    if (PySys_Audit("sys.addaudithook", NULL) < 0) {
        if (!PyErr_ExceptionMatches(PyExc_Exception)) return NULL;
        PyErr_Clear();
        Py_RETURN_NONE;
    }
    RuntimeState *r = &interp_get()->runtime;
    if (!r->audit_hooks) {
        if (!(r->audit_hooks = PyList_New(0))) return NULL;
        PyObject_GC_UnTrack(r->audit_hooks);        /* no code can reach the list */
    }
    if (PyList_Append(r->audit_hooks, arg[0]) < 0) return NULL;
    Py_RETURN_NONE;
}

BUILTIN_FAST(sys, audit, "($module, event, /, *args)", "Passes the event to any audit hooks that are attached.")
{
    if (nargs == 0) {
        PyErr_SetString(PyExc_TypeError, "audit() missing 1 required positional argument: 'event'");
        return NULL;
    }
    if (!audit_wanted()) Py_RETURN_NONE;
    if (!PyUnicode_Check(args[0])) {
        PyErr_Format(PyExc_TypeError, "expected str for argument 'event', not %.200s", Py_TYPE(args[0])->tp_name);
        return NULL;
    }
    const char *event = PyUnicode_AsUTF8(args[0]);
    if (!event) return NULL;
    PyObject *rest = PyTuple_New(nargs - 1);
    if (!rest) return NULL;
    for (Py_ssize_t i = 1; i < nargs; i++) PyTuple_SET_ITEM(rest, i - 1, Py_NewRef(args[i]));
    int status = PySys_AuditTuple(event, rest);
    Py_DECREF(rest);
    if (status < 0) return NULL;
    Py_RETURN_NONE;
}

/* ---- tracing ---------------------------------------------------------------------------------------------------- */

static PyObject *trace_call(PyObject *callback, PyFrameObject *frame, int what, PyObject *arg)
{
    static const char *const names[] = { "call", "exception", "line", "return", "c_call", "c_exception", "c_return", "opcode" };
    PyObject *event = PyUnicode_InternFromString(names[what]);
    if (!event) return NULL;
    PyObject *stack[3] = { (PyObject *)frame, event, arg ? arg : Py_None };
    PyObject *result = PyObject_Vectorcall(callback, stack, 3, NULL);
    Py_DECREF(event);
    return result;
}

static int profile_trampoline(PyObject *self, PyFrameObject *frame, int what, PyObject *arg)
{
    PyObject *result = trace_call(self, frame, what, arg);
    if (!result) {
        PyObject *saved = PyErr_GetRaisedException();
        PyEval_SetProfile(NULL, NULL);
        PyErr_SetRaisedException(saved);
        return -1;
    }
    Py_DECREF(result);
    return 0;
}

static int trace_trampoline(PyObject *self, PyFrameObject *frame, int what, PyObject *arg)
{
    PyObject *callback = what == PyTrace_CALL ? Py_NewRef(self) : frame_object_trace(frame);
    if (!callback) return 0;
    PyObject *result = trace_call(callback, frame, what, arg);
    Py_DECREF(callback);
    if (!result) {
        PyObject *saved = PyErr_GetRaisedException();
        PyEval_SetTrace(NULL, NULL);
        frame_object_set_trace(frame, NULL);
        PyErr_SetRaisedException(saved);
        return -1;
    }
    int status = result == Py_None ? 0 : frame_object_set_trace(frame, result);
    Py_DECREF(result);
    return status;
}

BUILTIN_O(sys, settrace, "($module, function, /)",
          "Set the global debug tracing function.\n\n"
          "It will be called on each function call.  See the debugger chapter\n"
          "in the library manual.")
{
    if (arg == Py_None) PyEval_SetTrace(NULL, NULL);
    else PyEval_SetTrace(trace_trampoline, arg);
    if (PyErr_Occurred()) return NULL;
    Py_RETURN_NONE;
}

BUILTIN_O(sys, setprofile, "($module, function, /)",
          "Set the profiling function.\n\n"
          "It will be called on each function call and return.  See the profiler\n"
          "chapter in the library manual.")
{
    if (arg == Py_None) PyEval_SetProfile(NULL, NULL);
    else PyEval_SetProfile(profile_trampoline, arg);
    if (PyErr_Occurred()) return NULL;
    Py_RETURN_NONE;
}

BUILTIN_O(sys, _settraceallthreads, "($module, function, /)",
          "Set the global debug tracing function in all running threads belonging to the current interpreter.")
{
    if (arg == Py_None) PyEval_SetTraceAllThreads(NULL, NULL);
    else PyEval_SetTraceAllThreads(trace_trampoline, arg);
    Py_RETURN_NONE;
}

BUILTIN_O(sys, _setprofileallthreads, "($module, function, /)",
          "Set the profiling function in all running threads belonging to the current interpreter.")
{
    if (arg == Py_None) PyEval_SetProfileAllThreads(NULL, NULL);
    else PyEval_SetProfileAllThreads(profile_trampoline, arg);
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(sys, gettrace, "($module, /)", "Return the global debug tracing function set with sys.settrace.")
{
    PyObject *function = PyThreadState_Get()->c_traceobj;
    return Py_NewRef(function ? function : Py_None);
}

BUILTIN_NOARGS(sys, getprofile, "($module, /)", "Return the profiling function set with sys.setprofile.")
{
    PyObject *function = PyThreadState_Get()->c_profileobj;
    return Py_NewRef(function ? function : Py_None);
}

BUILTIN_FAST(sys, call_tracing, "($module, func, args, /)",
             "Call func(*args), while tracing is enabled.\n\n"
             "The tracing state is saved, and restored afterwards.  This is intended\n"
             "to be called from a debugger from a checkpoint, to recursively debug\n"
             "some other code.")
{
    if (nargs != 2) {
        PyErr_Format(PyExc_TypeError, "call_tracing expected 2 arguments, got %zd", nargs);
        return NULL;
    }
    if (!PyTuple_Check(args[1])) {
        PyErr_Format(PyExc_TypeError, "call_tracing() argument 2 must be tuple, not %.50s",
                     args[1] == Py_None ? "None" : Py_TYPE(args[1])->tp_name);
        return NULL;
    }
    PyThreadState *ts = PyThreadState_Get();
    int tracing = ts->tracing;
    ts->tracing = 0;
    PyObject *result = PyObject_Call(args[0], args[1], NULL);
    ts->tracing = tracing;
    return result;
}

BUILTIN_NOARGS(sys, _current_frames, "($module, /)",
               "Return a dict mapping each thread's thread id to its current stack frame.\n\n"
               "This function should be used for specialized purposes only.")
{
    return _PyThread_CurrentFrames();
}

BUILTIN_NOARGS(sys, _current_exceptions, "($module, /)",
               "Return a dict mapping each thread's identifier to its current raised exception.\n\n"
               "This function should be used for specialized purposes only.")
{
    return thread_current_exceptions();
}

BUILTIN(sys, _getframe, POSITIONAL, "($module, depth=0, /)",
        "Return a frame object from the call stack.\n\n"
        "If optional integer depth is given, return the frame object that many\n"
        "calls below the top of the stack.  If that is deeper than the call\n"
        "stack, ValueError is raised.  The default for depth is zero, returning\n"
        "the frame at the top of the call stack.\n\n"
        "This function should be used for internal and specialized purposes\n"
        "only.")
{
    int depth = 0;
    if (arg[0] && (depth = PyLong_AsInt(arg[0])) == -1 && PyErr_Occurred()) return NULL;
    PyFrameObject *frame = PyThreadState_GetFrame(PyThreadState_Get());
    while (frame && depth-- > 0) {
        PyFrameObject *back = PyFrame_GetBack(frame);
        Py_SETREF(frame, back);
    }
    if (!frame) {
        if (!PyErr_Occurred()) PyErr_SetString(PyExc_ValueError, "call stack is not deep enough");
        return NULL;
    }
    if (PySys_Audit("sys._getframe", "(O)", (PyObject *)frame) < 0) Py_CLEAR(frame);
    return (PyObject *)frame;
}

BUILTIN(sys, _getframemodulename, KEYWORDS, "($module, /, depth=0)",
        "Return the name of the module for a calling frame.\n\n"
        "The default depth returns the module containing the call to this API.\n"
        "A more typical use in a library will pass a depth of 1 to get the user's\n"
        "module rather than the library module.\n\n"
        "If no frame, module, or name can be found, returns None.")
{
    int depth = 0;
    if (arg[0] && (depth = PyLong_AsInt(arg[0])) == -1 && PyErr_Occurred()) return NULL;
    if (PySys_Audit("sys._getframemodulename", "i", depth) < 0) return NULL;
    Frame *frame = PyThreadState_Get()->current_frame;
    while (frame && (frame->owner == FRAME_OWNED_BY_CSTACK || depth-- > 0)) frame = frame->previous;
    if (!frame || !frame->f_funcobj) Py_RETURN_NONE;
    PyObject *name = PyFunction_GetModule(frame->f_funcobj);
    if (!name) {
        PyErr_Clear();
        Py_RETURN_NONE;
    }
    return Py_NewRef(name);
}

/* ---- limits and sizes ------------------------------------------------------------------------------------------- */

BUILTIN_NOARGS(sys, getrecursionlimit, "($module, /)",
               "Return the current value of the recursion limit.\n\n"
               "The recursion limit is the maximum depth of the Python interpreter\n"
               "stack.  This limit prevents infinite recursion from causing an overflow\n"
               "of the C stack and crashing Python.")
{
    return PyLong_FromLong(Py_GetRecursionLimit());
}

BUILTIN_O(sys, setrecursionlimit, "($module, limit, /)",
          "Set the maximum depth of the Python interpreter stack to n.\n\n"
          "This limit prevents infinite recursion from causing an overflow of the C\n"
          "stack and crashing Python.  The highest possible limit is platform-\n"
          "dependent.")
{
    int limit = PyLong_AsInt(arg);
    if (limit == -1 && PyErr_Occurred()) return NULL;
    if (limit < 1) {
        PyErr_SetString(PyExc_ValueError, "recursion limit must be greater or equal than 1");
        return NULL;
    }
    PyThreadState *ts = PyThreadState_Get();
    int depth = ts->py_recursion_limit - ts->py_recursion_remaining;
    if (depth >= limit) {
        PyErr_Format(PyExc_RecursionError,
                     "cannot set the recursion limit to %i at the recursion depth %i: the limit is too low", limit, depth);
        return NULL;
    }
    Py_SetRecursionLimit(limit);
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(sys, getswitchinterval, "($module, /)",
               "Return the current thread switch interval; see sys.setswitchinterval().")
{
    return PyFloat_FromDouble(1e-6 * (double)gil_switch_interval(interp_get()));
}

BUILTIN_O(sys, setswitchinterval, "($module, interval, /)",
          "Set the ideal thread switching delay inside the Python interpreter.\n\n"
          "The actual frequency of switching threads can be lower if the\n"
          "interpreter executes long sequences of uninterruptible code\n"
          "(this is implementation-specific and workload-dependent).\n\n"
          "The parameter must represent the desired switching delay in seconds\n"
          "A typical value is 0.005 (5 milliseconds).")
{
    double interval = PyFloat_AsDouble(arg);
    if (interval == -1.0 && PyErr_Occurred()) return NULL;
    if (!(interval > 0.0)) {
        PyErr_SetString(PyExc_ValueError, "switch interval must be strictly positive");
        return NULL;
    }
    double microseconds = 1e6 * interval;
    gil_set_switch_interval(interp_get(), microseconds < 1 ? 1 : microseconds > 1e15 ? 1000000000000000 : (unsigned long)microseconds);
    Py_RETURN_NONE;
}

BUILTIN_O(sys, getrefcount, "($module, object, /)",
          "Return the reference count of object.\n\n"
          "The count returned is generally one higher than you might expect,\n"
          "because it includes the (temporary) reference as an argument to\n"
          "getrefcount().")
{
    return PyLong_FromSsize_t(Py_REFCNT(arg));
}

static PyObject *sizeof_method(PyObject *o)
{
    PyTypeObject *type = Py_TYPE(o);
    PyObject *method = _PyType_Lookup(type, STR(__sizeof__));
    if (!method) return NULL;
    descrgetfunc get = Py_TYPE(method)->tp_descr_get;
    Py_INCREF(method);
    if (!get) return method;
    PyObject *bound = get(method, o, (PyObject *)type);
    Py_DECREF(method);
    return bound;
}

size_t _PySys_GetSizeOf(PyObject *o)
{
    PyObject *method = sizeof_method(o);
    if (!method) {
        if (!PyErr_Occurred())
            PyErr_Format(PyExc_TypeError, "Type %.100s doesn't define __sizeof__", Py_TYPE(o)->tp_name);
        return (size_t)-1;
    }
    PyObject *value = PyObject_CallNoArgs(method);
    Py_DECREF(method);
    if (!value) return (size_t)-1;
    Py_ssize_t size = PyLong_AsSsize_t(value);
    Py_DECREF(value);
    if (size == -1 && PyErr_Occurred()) return (size_t)-1;
    if (size < 0) {
        PyErr_SetString(PyExc_ValueError, "__sizeof__() should return >= 0");
        return (size_t)-1;
    }
    return (size_t)size;
}

SIGNATURE(getsizeof_signature, "getsizeof", KEYWORDS, "(object, default=None)");

static PyObject *sys_getsizeof(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    PyObject *arg[2];
    if (args_bind(&getsizeof_signature, args, nargs, kwnames, arg) < 0) return NULL;
    size_t size = _PySys_GetSizeOf(arg[0]);
    if (size == (size_t)-1 && PyErr_Occurred()) {
        if (!arg[1] || !PyErr_ExceptionMatches(PyExc_TypeError)) return NULL;
        PyErr_Clear();
        return Py_NewRef(arg[1]);
    }
    return PyLong_FromSize_t(size);
}

BUILTIN_NOARGS(sys, get_int_max_str_digits, "($module, /)",
               "Return the maximum string digits limit for non-binary int<->str conversions.")
{
    return PyLong_FromLong(interp_get()->objects.numbers.max_str_digits);
}

BUILTIN(sys, set_int_max_str_digits, KEYWORDS, "($module, /, maxdigits)",
        "Set the maximum string digits limit for non-binary int<->str conversions.")
{
    int digits = PyLong_AsInt(arg[0]);
    if (digits == -1 && PyErr_Occurred()) return NULL;
    if (digits != 0 && digits < 640) {
        PyErr_Format(PyExc_ValueError, "maxdigits must be 0 or larger than %d", 640);
        return NULL;
    }
    interp_get()->objects.numbers.max_str_digits = digits;
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(sys, getallocatedblocks, "($module, /)", "Return the number of memory blocks currently allocated.")
{
    Heap *heap = &interp_get()->heap;
    Py_ssize_t blocks = 0;
    for (Segment *segment = heap->segments; segment; segment = segment->next)
        for (int i = 1; i < SEGMENT_PAGES; i++)
            if (segment->pages[i].kind != PAGE_FREE) blocks += segment->pages[i].used;
    return PyLong_FromSsize_t(blocks);
}

BUILTIN_NOARGS(sys, _debugmallocstats, "($module, /)",
               "Print summary info to stderr about the state of pymalloc's structures.\n\n"
               "In Py_DEBUG mode, also perform some expensive internal consistency\n"
               "checks.")
{
    Heap *heap = &interp_get()->heap;
    fprintf(stderr, "kind size    pages   used slots   capacity\n");
    for (int kind = PAGE_PLAIN; kind < PAGE_KINDS; kind++) {
        for (int class = 0; class < SIZE_CLASSES; class++) {
            size_t pages = 0, used = 0, capacity = 0, size = 0;
            for (Segment *segment = heap->segments; segment; segment = segment->next)
                for (int i = 1; i < SEGMENT_PAGES; i++) {
                    PageHeader *page = &segment->pages[i];
                    if (page->kind != kind || page->size_class != class || !page->capacity) continue;
                    pages++;
                    used += page->used;
                    capacity += page->capacity;
                    size = page->slot_size;
                }
            if (pages) fprintf(stderr, "%4d %5zu %7zu %12zu %10zu\n", kind, size, pages, used, capacity);
        }
    }
    Py_RETURN_NONE;
}

/* ---- strings, encodings, caches --------------------------------------------------------------------------------- */

BUILTIN_NOARGS(sys, getdefaultencoding, "($module, /)",
               "Return the current default encoding used by the Unicode implementation.")
{
    return PyUnicode_InternFromString("utf-8");
}

static PyObject *config_string(const wchar_t *text)
{
    if (!text) Py_RETURN_NONE;
    PyObject *value = PyUnicode_FromWideChar(text, -1);
    if (value) PyUnicode_InternInPlace(&value);
    return value;
}

BUILTIN_NOARGS(sys, getfilesystemencoding, "($module, /)",
               "Return the encoding used to convert Unicode filenames to OS filenames.")
{
    return config_string(interp_config(interp_get())->filesystem_encoding);
}

BUILTIN_NOARGS(sys, getfilesystemencodeerrors, "($module, /)",
               "Return the error mode used Unicode to OS filename conversion.")
{
    return config_string(interp_config(interp_get())->filesystem_errors);
}

BUILTIN_O(sys, intern, "($module, string, /)",
          "``Intern'' the given string.\n\n"
          "This enters the string in the (global) table of interned strings whose\n"
          "purpose is to speed up dictionary lookups. Return the string itself or\n"
          "the previously interned string object with the same value.")
{
    if (!PyUnicode_Check(arg)) {
        PyErr_Format(PyExc_TypeError, "intern() argument must be str, not %.50s",
                     arg == Py_None ? "None" : Py_TYPE(arg)->tp_name);
        return NULL;
    }
    if (!PyUnicode_CheckExact(arg)) {
        PyErr_Format(PyExc_TypeError, "can't intern %.400s", Py_TYPE(arg)->tp_name);
        return NULL;
    }
    Py_INCREF(arg);
    PyUnicode_InternInPlace(&arg);
    return arg;
}

BUILTIN_O(sys, _is_interned, "($module, string, /)", "Return True if the given string is \"interned\".")
{
    if (!PyUnicode_Check(arg)) {
        PyErr_Format(PyExc_TypeError, "_is_interned() argument must be str, not %.50s",
                     arg == Py_None ? "None" : Py_TYPE(arg)->tp_name);
        return NULL;
    }
    return PyBool_FromLong(PyUnicode_CHECK_INTERNED(arg));
}

BUILTIN(sys, getunicodeinternedsize, KEYWORDS, "($module, /, *, _only_immortal=False)",
        "Return the number of elements of the unicode interned dictionary")
{
    int only_immortal = arg[0] ? PyObject_IsTrue(arg[0]) : 0;
    if (only_immortal < 0) return NULL;
    return PyLong_FromSsize_t(str_interned_count(interp_get(), only_immortal));
}

BUILTIN_NOARGS(sys, _clear_type_cache, "($module, /)", "Clear the internal type lookup cache.")
{
    if (PyErr_WarnEx(PyExc_DeprecationWarning,
                     "sys._clear_type_cache() is deprecated and may be removed in a future version of Python. "
                     "Use sys._clear_internal_caches() instead.", 1) < 0) return NULL;
    PyType_ClearCache();
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(sys, _clear_internal_caches, "($module, /)", "Clear all internal performance-related caches.")
{
    PyType_ClearCache();
    Py_RETURN_NONE;
}

/* ---- coroutines ------------------------------------------------------------------------------------------------- */

BUILTIN(sys, set_coroutine_origin_tracking_depth, KEYWORDS, "($module, /, depth)",
        "Enable or disable origin tracking for coroutine objects in this thread.\n\n"
        "Coroutine objects will track 'depth' frames of traceback information\n"
        "about where they came from, available in their cr_origin attribute.\n\n"
        "Set a depth of 0 to disable.")
{
    int depth = PyLong_AsInt(arg[0]);
    if (depth == -1 && PyErr_Occurred()) return NULL;
    if (depth < 0) {
        PyErr_SetString(PyExc_ValueError, "depth must be >= 0");
        return NULL;
    }
    PyThreadState_Get()->coroutine_origin_tracking_depth = depth;
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(sys, get_coroutine_origin_tracking_depth, "($module, /)",
               "Check status of origin tracking for coroutine objects in this thread.")
{
    return PyLong_FromLong(PyThreadState_Get()->coroutine_origin_tracking_depth);
}

SIGNATURE(set_asyncgen_hooks_signature, "set_asyncgen_hooks", UNNAMED, "(firstiter=None, finalizer=None)");

static int asyncgen_hook_check(PyObject *hook, const char *name)
{
    if (!hook || hook == Py_None || PyCallable_Check(hook)) return 0;
    PyErr_Format(PyExc_TypeError, "callable %s expected, got %.50s", name, Py_TYPE(hook)->tp_name);
    return -1;
}

static PyObject *sys_set_asyncgen_hooks(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    PyObject *arg[2];
    if (args_bind(&set_asyncgen_hooks_signature, args, nargs, kwnames, arg) < 0) return NULL;
    PyThreadState *ts = PyThreadState_Get();
    if (asyncgen_hook_check(arg[1], "finalizer") < 0 || asyncgen_hook_check(arg[0], "firstiter") < 0) return NULL;
    if (arg[1] && PySys_Audit("sys.set_asyncgen_hook_finalizer", NULL) < 0) return NULL;
    if (arg[0] && PySys_Audit("sys.set_asyncgen_hook_firstiter", NULL) < 0) return NULL;
    if (arg[1]) Py_XSETREF(ts->async_gen_finalizer, arg[1] == Py_None ? NULL : Py_NewRef(arg[1]));
    if (arg[0]) Py_XSETREF(ts->async_gen_firstiter, arg[0] == Py_None ? NULL : Py_NewRef(arg[0]));
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(sys, get_asyncgen_hooks, "($module, /)",
               "Return the installed asynchronous generators hooks.\n\n"
               "This returns a namedtuple of the form (firstiter, finalizer).")
{
    PyThreadState *ts = PyThreadState_Get();
    PyObject *type = sys_type("asyncgen_hooks");
    PyObject *hooks = type ? PyStructSequence_New((PyTypeObject *)type) : NULL;
    if (!hooks) return NULL;
    PyStructSequence_SetItem(hooks, 0, Py_NewRef(ts->async_gen_firstiter ? ts->async_gen_firstiter : Py_None));
    PyStructSequence_SetItem(hooks, 1, Py_NewRef(ts->async_gen_finalizer ? ts->async_gen_finalizer : Py_None));
    return hooks;
}

/* ---- the rest --------------------------------------------------------------------------------------------------- */

BUILTIN_NOARGS(sys, getdlopenflags, "($module, /)",
               "Return the current value of the flags that are used for dlopen calls.\n\n"
               "The flag constants are defined in the os module.")
{
    return PyLong_FromLong(interp_get()->runtime.import.dlopen_flags);
}

BUILTIN_O(sys, setdlopenflags, "($module, flags, /)",
          "Set the flags used by the interpreter for dlopen calls.\n\n"
          "This is used, for example, when the interpreter loads extension\n"
          "modules. Among other things, this will enable a lazy resolving of\n"
          "symbols when importing a module, if called as sys.setdlopenflags(0).\n"
          "To share symbols across extension modules, call as\n"
          "sys.setdlopenflags(os.RTLD_GLOBAL).  Symbolic names for the flag\n"
          "modules can be found in the os module (RTLD_xxx constants, e.g.\n"
          "os.RTLD_LAZY).")
{
    int flags = PyLong_AsInt(arg);
    if (flags == -1 && PyErr_Occurred()) return NULL;
    interp_get()->runtime.import.dlopen_flags = flags;
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(sys, is_finalizing, "($module, /)", "Return True if Python is exiting.")
{
    return PyBool_FromLong(Py_IsFinalizing());
}

BUILTIN_NOARGS(sys, _is_gil_enabled, "($module, /)",
               "Return True if the GIL is currently enabled and False otherwise.")
{
    Py_RETURN_TRUE;
}

BUILTIN_NOARGS(sys, _get_cpu_count_config, "($module, /)", "Private function for getting PyConfig.cpu_count")
{
    return PyLong_FromLong(interp_config(interp_get())->cpu_count);
}

BUILTIN_NOARGS(sys, _baserepl, "($module, /)", "Private function for getting the base REPL")
{
    PyCompilerFlags flags = _PyCompilerFlags_INIT;
    PyRun_AnyFileExFlags(stdin, "<stdin>", 0, &flags);
    Py_RETURN_NONE;
}

BUILTIN_O(sys, activate_stack_trampoline, "($module, backend, /)", "Activate stack profiler trampoline *backend*.")
{
    if (!PyUnicode_Check(arg)) {
        PyErr_Format(PyExc_TypeError, "activate_stack_trampoline() argument must be str, not %.50s",
                     arg == Py_None ? "None" : Py_TYPE(arg)->tp_name);
        return NULL;
    }
    const char *name = PyUnicode_AsUTF8(arg);
    if (!name) return NULL;
    if (strcmp(name, "perf") && strcmp(name, "perf_jit")) PyErr_Format(PyExc_ValueError, "invalid backend: %s", name);
    else PyErr_SetString(PyExc_ValueError, "perf trampoline not available");
    return NULL;
}

BUILTIN_NOARGS(sys, deactivate_stack_trampoline, "($module, /)",
               "Deactivate the current stack profiler trampoline backend.\n\n"
               "If no stack profiler is activated, this function has no effect.")
{
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(sys, is_stack_trampoline_active, "($module, /)",
               "Return *True* if a stack profiler trampoline is active.")
{
    Py_RETURN_FALSE;
}

PyMethodDef sys_methods[] = {
    METHOD(sys, addaudithook), METHOD(sys, audit), METHOD(sys, breakpointhook), METHOD(sys, _clear_internal_caches),
    METHOD(sys, _clear_type_cache), METHOD(sys, _current_frames), METHOD(sys, _current_exceptions), METHOD(sys, displayhook),
    METHOD(sys, exception), METHOD(sys, exc_info), METHOD(sys, excepthook), METHOD(sys, exit),
    METHOD(sys, getdefaultencoding), METHOD(sys, getdlopenflags), METHOD(sys, getallocatedblocks),
    METHOD(sys, getunicodeinternedsize), METHOD(sys, getfilesystemencoding), METHOD(sys, getfilesystemencodeerrors),
    METHOD(sys, getrefcount), METHOD(sys, getrecursionlimit),
    {"getsizeof", (PyCFunction)(void (*)(void))sys_getsizeof, METH_FASTCALL | METH_KEYWORDS,
     "getsizeof(object [, default]) -> int\n\nReturn the size of object in bytes."},
    METHOD(sys, _getframe), METHOD(sys, _getframemodulename), METHOD(sys, intern), METHOD(sys, _is_interned),
    METHOD(sys, is_finalizing), METHOD(sys, setdlopenflags), METHOD(sys, setswitchinterval), METHOD(sys, getswitchinterval),
    METHOD(sys, setprofile), METHOD(sys, _setprofileallthreads), METHOD(sys, getprofile), METHOD(sys, setrecursionlimit),
    METHOD(sys, settrace), METHOD(sys, _settraceallthreads), METHOD(sys, gettrace), METHOD(sys, call_tracing),
    METHOD(sys, _debugmallocstats), METHOD(sys, set_coroutine_origin_tracking_depth),
    METHOD(sys, get_coroutine_origin_tracking_depth),
    {"set_asyncgen_hooks", (PyCFunction)(void (*)(void))sys_set_asyncgen_hooks, METH_FASTCALL | METH_KEYWORDS,
     "set_asyncgen_hooks([firstiter] [, finalizer])\n\nSet a finalizer for async generators objects."},
    METHOD(sys, get_asyncgen_hooks), METHOD(sys, activate_stack_trampoline), METHOD(sys, deactivate_stack_trampoline),
    METHOD(sys, is_stack_trampoline_active), METHOD(sys, unraisablehook), METHOD(sys, get_int_max_str_digits),
    METHOD(sys, set_int_max_str_digits), METHOD(sys, _is_gil_enabled), METHOD(sys, _get_cpu_count_config),
    METHOD(sys, _baserepl), {0}
};
