/* The end of objects: _Py_Dealloc, the trashcan that bounds its recursion, and the reference tracer.
 *
 * A deep structure is not destroyed recursively: beyond a depth objects are put off, chained through their count word, which holds
 * the complement of the next one's address: negative, so it reads as dead, and nothing needs to be allocated. All collectable
 * objects go through here, so that their deallocators need not care. Depth is what is counted, or how near the end of the stack
 * is: what called us may have needed more of it than its count says. */
#include "memory/alloc.h"

/* More than calls reserve: finalisers run before they fail. */
static ALWAYS_INLINE bool stack_is_short(Thread *t, uintptr_t here) { return here - t->stack_low < STACK_SHORT; }

/* Is there room to destroy what was put off? At the beginning of a stack always, however small it is. */
COLD NOINLINE static bool may_destroy_chain(Thread *t, uintptr_t here)
{
    if (t->ts.c_recursion_remaining <= Py_TRASHCAN_HEADROOM * 2) return false;
    return here - t->stack_low >= STACK_SHORT + STACK_SHORT / 2 || t->stack_high - here < (t->stack_high - t->stack_low) / 4;
}

COLD NOINLINE static void put_off(Thread *t, PyObject *o)
{
    if (gc_is_tracked(o)) gc_untrack(t, o);                 /* nobody may come across it */
    _PyTrash_thread_deposit_object(&t->ts, o);
}

void _Py_Dealloc(PyObject *o)
{
    PyTypeObject *type = Py_TYPE(o);
    if (UNLIKELY(_PyRuntime.memory.tracer != NULL)) _PyRuntime.memory.tracer(o, PyRefTracer_DESTROY, _PyRuntime.memory.tracer_data);
    if (!(type->tp_flags & Py_TPFLAGS_HAVE_GC)) {
        type->tp_dealloc(o);
        return;
    }
    Thread *t = thread_get();
    PyThreadState *ts = &t->ts;
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);
    if (UNLIKELY(ts->c_recursion_remaining <= Py_TRASHCAN_HEADROOM || stack_is_short(t, here))) {
        put_off(t, o);
        return;
    }
    ts->c_recursion_remaining--;
    type->tp_dealloc(o);
    ts->c_recursion_remaining++;
    if (UNLIKELY(ts->delete_later != NULL) && may_destroy_chain(t, here)) _PyTrash_thread_destroy_chain(ts);
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
