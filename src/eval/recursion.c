/* How deep calls may nest. Python frames are counted against sys.setrecursionlimit(). C functions are counted too (deep
 * structures must fail alike everywhere), and checked against the real bounds of the thread's stack. */
#include "eval/eval_private.h"

enum { HEADROOM = 50 };

COLD int recursion_check_python(PyThreadState *ts)
{
    if (ts->recursion_headroom) {
        if (ts->py_recursion_remaining < -HEADROOM) Py_FatalError("Cannot recover from Python stack overflow.");
        return 0;
    }
    if (ts->py_recursion_remaining > 0) return 0;
    ts->recursion_headroom++;
    PyErr_SetString(PyExc_RecursionError, "maximum recursion depth exceeded");
    ts->recursion_headroom--;
    return -1;
}

COLD NOINLINE static int recursion_overflow(PyThreadState *ts, const char *where)
{
    ts->recursion_headroom++;
    PyErr_Format(PyExc_RecursionError, "maximum recursion depth exceeded%s", where ? where : "");
    ts->recursion_headroom--;
    ts->c_recursion_remaining++;
    return -1;
}

NOINLINE int recursion_enter_c_slow(PyThreadState *ts, const char *where)
{
    Thread *t = (Thread *)ts;
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);
    bool counted_out = UNLIKELY(--ts->c_recursion_remaining < 0);
    bool on_own_stack = here < t->stack_high && here >= t->stack_low;
    bool near_end = on_own_stack && here - t->stack_low < (ts->recursion_headroom ? STACK_LAST_RESERVE : STACK_RESERVE);
    if (LIKELY(!counted_out && !near_end)) return 0;
    if (ts->recursion_headroom && !near_end && ts->c_recursion_remaining > -HEADROOM) return 0;
    return recursion_overflow(ts, where);
}

int Py_EnterRecursiveCall(const char *where) { return recursion_enter_c(PyThreadState_GET(), where); }
void Py_LeaveRecursiveCall(void) { PyThreadState_GET()->c_recursion_remaining++; }

COLD int stack_check_slow(void)
{
    if (Py_EnterRecursiveCall("")) return -1;
    Py_LeaveRecursiveCall();
    return 0;
}

int Py_GetRecursionLimit(void)
{
    return PyThreadState_GET()->py_recursion_limit;
}

void Py_SetRecursionLimit(int limit)
{
    PyInterpreterState *interp = interp_get();
    interp->runtime.recursion_limit = limit;
    for (PyThreadState *ts = interp->runtime.threads; ts; ts = ts->next) {
        int depth = ts->py_recursion_limit - ts->py_recursion_remaining;
        ts->py_recursion_limit = limit;
        ts->py_recursion_remaining = limit - depth;
    }
}

PyAPI_FUNC(int) _Py_CheckRecursiveCall(PyThreadState *ts, const char *where);
int _Py_CheckRecursiveCall(PyThreadState *ts, const char *where)
{
    if (ts->c_recursion_remaining > 0 || ts->recursion_headroom) return 0;
    return recursion_overflow(ts, where);
}
