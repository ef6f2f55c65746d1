/* _tracemalloc: the face of allocation tracing (memory/tracing.c) that tracemalloc.py builds on. */
#include "capi/args.h"
#include "memory/tracing.h"
#include "modules/support.h"

BUILTIN_NOARGS(tracemalloc, is_tracing, "($module, /)", "True while Python's memory allocations are traced.")
{
    return PyBool_FromLong(tracing_is_on());
}

BUILTIN_NOARGS(tracemalloc, clear_traces, "($module, /)", "Forget the traces collected so far.")
{
    tracing_clear();
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(tracemalloc, _get_traces, "($module, /)",
               "A list with a tuple (domain, size, frames, total number of frames) for every traced block that is alive.\n\n"
               "It is empty when allocations are not traced.")
{
    return tracing_list();
}

BUILTIN_O(tracemalloc, _get_object_traceback, "($module, obj, /)",
          "Where obj was allocated: a tuple of (filename, lineno), or None when that is not known.")
{
    return tracing_object_traceback(arg);
}

BUILTIN(tracemalloc, start, POSITIONAL, "($module, nframe=1, /)",
        "Start tracing allocations, and keep at most nframe frames of a trace.")
{
    int frames = 1;
    if (arg[0] && (frames = PyLong_AsInt(arg[0])) == -1 && PyErr_Occurred()) return NULL;
    if (tracing_start(frames) < 0) return NULL;
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(tracemalloc, stop, "($module, /)", "Stop tracing allocations, and forget all traces.")
{
    tracing_stop();
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(tracemalloc, get_traceback_limit, "($module, /)", "The largest number of frames that a trace keeps; 1 by default.")
{
    return PyLong_FromLong(tracing_frame_limit());
}

BUILTIN_NOARGS(tracemalloc, get_tracemalloc_memory, "($module, /)", "The bytes that the traces themselves take.")
{
    return PyLong_FromSize_t(tracing_overhead());
}

static PyObject *size_pair(size_t current, size_t peak) { return Py_BuildValue("nn", (Py_ssize_t)current, (Py_ssize_t)peak); }

BUILTIN_NOARGS(tracemalloc, get_traced_memory, "($module, /)", "The size of all traced blocks, now and at its peak, in bytes.")
{
    size_t current, peak;
    tracing_memory(&current, &peak);
    return size_pair(current, peak);
}

BUILTIN_NOARGS(tracemalloc, reset_peak, "($module, /)", "Let the peak of traced memory begin again at its present size.")
{
    tracing_reset_peak();
    Py_RETURN_NONE;
}

static PyMethodDef tracemalloc_methods[] = {
    METHOD(tracemalloc, is_tracing), METHOD(tracemalloc, clear_traces), METHOD(tracemalloc, _get_traces),
    METHOD(tracemalloc, _get_object_traceback), METHOD(tracemalloc, start), METHOD(tracemalloc, stop),
    METHOD(tracemalloc, get_traceback_limit), METHOD(tracemalloc, get_tracemalloc_memory),
    METHOD(tracemalloc, get_traced_memory), METHOD(tracemalloc, reset_peak), { 0 },
};

static PyModuleDef_Slot tracemalloc_slots[] = { MODULE_SLOTS_COMMON, { 0, NULL } };

static struct PyModuleDef tracemalloc_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_tracemalloc",
    .m_doc = "Tracing of memory allocations: what tracemalloc is made of.",
    .m_methods = tracemalloc_methods,
    .m_slots = tracemalloc_slots,
};

PyMODINIT_FUNC PyInit__tracemalloc(void) { return PyModuleDef_Init(&tracemalloc_module); }
