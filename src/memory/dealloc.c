/* The end of objects: _Py_Dealloc, the trashcan that bounds its recursion, and the reference tracer.
 *
 * A deep structure is not destroyed recursively: beyond a depth (Py_TRASHCAN_BEGIN of object.h decides) objects are chained
 * through their count word, which holds the complement of the next one's address: negative, so it reads as dead, and nothing
 * needs to be allocated. */
#include "memory/alloc.h"

void _Py_Dealloc(PyObject *o)
{
    PyTypeObject *type = Py_TYPE(o);
    if (UNLIKELY(_PyRuntime.memory.tracer != NULL)) _PyRuntime.memory.tracer(o, PyRefTracer_DESTROY, _PyRuntime.memory.tracer_data);
    type->tp_dealloc(o);
}

void _PyTrash_thread_deposit_object(PyThreadState *ts, PyObject *o)
{
    o->ob_refcnt = (Py_ssize_t)~(uintptr_t)ts->delete_later;
    ts->delete_later = o;
}

void _PyTrash_thread_destroy_chain(PyThreadState *ts)
{
    /* Deallocators run here may deposit more: the loop takes those too. The count keeps them from starting a loop of their own. */
    ts->c_recursion_remaining--;
    while (ts->delete_later) {
        PyObject *o = ts->delete_later;
        ts->delete_later = (PyObject *)~(uintptr_t)o->ob_refcnt;
        o->ob_refcnt = 0;
        Py_TYPE(o)->tp_dealloc(o);
    }
    ts->c_recursion_remaining++;
}

int PyRefTracer_SetTracer(PyRefTracer tracer, void *data)
{
    _PyRuntime.memory.tracer = tracer;
    _PyRuntime.memory.tracer_data = data;
    return 0;
}

PyRefTracer PyRefTracer_GetTracer(void **data)
{
    if (data) *data = _PyRuntime.memory.tracer_data;
    return _PyRuntime.memory.tracer;
}
