/* Small parts of instruction bodies that touch neither the stack pointer nor the dispatch state. */
#ifndef TAIPAN_EVAL_INLINE_H
#define TAIPAN_EVAL_INLINE_H

#include "eval/eval_private.h"
#include "objects/dict.h"
#include "objects/float.h"
#include "objects/function.h"
#include "objects/instance.h"
#include "objects/list.h"
#include "objects/long.h"
#include "objects/range.h"
#include "objects/unicode.h"

/* Drops a reference to an exact float. */
static ALWAYS_INLINE void float_release(PyObject *o)
{
    if (_Py_IsImmortal(o)) return;
    if (--o->ob_refcnt == 0) float_dealloc_exact(o);
}

/* The frame of a Python function has returned, with the instruction `at`: drop it and give its room back. */
static ALWAYS_INLINE void frame_leave(PyThreadState *ts, Frame *f, CodeUnit *at)
{
    if (UNLIKELY(f->owner != FRAME_OWNED_BY_THREAD || f->frame_obj)) {
        f->instr_ptr = at;                             /* f_lineno of a frame object that lives on */
        frame_leave_slow(ts, f);
        return;
    }
    PyObject **local = f->localsplus, **end = local + f->stacktop;
    f->stacktop = 0;
    for (; local < end; local++) Py_XDECREF(*local);
    if (UNLIKELY(f->f_locals != NULL)) Py_DECREF(f->f_locals);
    PyObject *code = f->f_executable;
    Py_DECREF(f->f_funcobj);
    Py_DECREF(code);
    frame_stack_pop(ts, f);
}

/* -1 error, else truth. */
static ALWAYS_INLINE int truth_of(PyObject *o)
{
    if (o == Py_True) return 1;
    if (o == Py_False || o == Py_None) return 0;
    return PyObject_IsTrue(o);
}

static inline bool is_python_function(PyObject *o)
{
    return Py_IS_TYPE(o, &PyFunction_Type) && ((PyFunctionObject *)o)->vectorcall == function_vectorcall;
}

/* A plain C int: exact int of at most one digit. */
static inline bool int_is_compact(PyObject *o) { return Py_IS_TYPE(o, &PyLong_Type) && long_is_compact(LONG(o)); }
static inline Py_ssize_t int_value(PyObject *o) { return long_compact_value(LONG(o)); }
/* Behind an augmented assignment's operator, at next: is what follows the store of its result to the attribute or list item that holds
 * a, the left operand? below: the stack under a. The caller has seen that only that place and the stack hold a. */
static ALWAYS_INLINE bool augmented_target(const CodeUnit *next, PyObject **below, PyObject *a)
{
    if (next[0].op.code != SWAP) return false;
    if (next[0].op.arg == 2) {                             /* owner a b -> */
        PyObject *owner = below[-1];
        if (next[1].op.code == STORE_ATTR_INSTANCE_VALUE) {
            if (Py_TYPE(owner)->tp_version_tag != cache_u32(next + 3)) return false;
            Shape *shape = instance_shape(owner);
            return shape && shape->number == next[5].cache >> 6 && instance_values(owner)[next[5].cache & 63] == a;
        }
        return next[1].op.code == STORE_ATTR_SLOT && Py_TYPE(owner)->tp_version_tag == cache_u32(next + 3) &&
               *(PyObject **)(void *)((char *)owner + next[5].cache) == a;
    }
    if (next[0].op.arg != 3 || next[1].op.code != SWAP || next[1].op.arg != 2 || next[2].op.code != STORE_SUBSCR_LIST_INT) return false;
    PyObject *key = below[-1], *list = below[-2];          /* list index a b -> */
    return PyList_CheckExact(list) && Py_IS_TYPE(key, &PyLong_Type) && long_is_compact(LONG(key)) &&
           (size_t)long_compact_value(LONG(key)) < (size_t)PyList_GET_SIZE(list) && PyList_GET_ITEM(list, long_compact_value(LONG(key))) == a;
}

/* An int that nobody else can see takes another value in place, when both are compact and the new one is no shared small int. */
static ALWAYS_INLINE bool int_replace(PyObject *o, int64_t value)
{
    if (!Py_IS_TYPE(o, &PyLong_Type) || LONG_TAG(o) >= 2 << _PyLong_NON_SIZE_BITS) return false;
    uint64_t magnitude = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    if (magnitude > PyLong_MASK || (uint64_t)value - (uint64_t)(int64_t)SMALL_INT_MIN < SMALL_INT_COUNT) return false;
    LONG_TAG(o) = 1 << _PyLong_NON_SIZE_BITS | (value < 0 ? LONG_NEGATIVE : LONG_POSITIVE);
    LONG_DIGITS(o)[0] = (digit)magnitude;
    return true;
}
static ALWAYS_INLINE void int_release(PyObject *o)
{
    if (_Py_IsImmortal(o)) return;
    if (--o->ob_refcnt == 0) long_dealloc_exact(o);
}

#endif
