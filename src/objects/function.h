/* Functions: what eval/ needs beyond <cpython/funcobject.h>. */
#ifndef TAIPAN_OBJECTS_FUNCTION_H
#define TAIPAN_OBJECTS_FUNCTION_H

#include "objects/type.h"

/* A version that stands for the function's code, defaults and closure as they are now; 0 when there are no more. A version
 * is never given to two different functions; anything that changes the function sets func_version to 0. */
uint32_t function_version(PyFunctionObject *f);

/* BORROWED dict, made from what the compiler left (a tuple of names and values) if need be; NULL with an exception. */
PyObject *function_annotations(PyFunctionObject *f);

/* The common case of Py_EnterRecursiveCall and Py_LeaveRecursiveCall around a C function. */
static ALWAYS_INLINE int c_call_enter(Thread *t, const char *where)
{
    enum { FAR_FROM_THE_END = 256 * 1024 };
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);
    if (LIKELY(t->ts.c_recursion_remaining > 0 && here - t->stack_low > FAR_FROM_THE_END && here < t->stack_high)) {
        t->ts.c_recursion_remaining--;
        return 0;
    }
    return Py_EnterRecursiveCall(where);
}
static ALWAYS_INLINE void c_call_leave(Thread *t) { t->ts.c_recursion_remaining++; }

/* What a class method or static method wraps: BORROWED. */
typedef struct WrappedCallable {
    PyObject_HEAD
    PyObject *callable;
    PyObject *dict;
} WrappedCallable;
static inline PyObject *wrapped_callable(PyObject *o) { return ((WrappedCallable *)o)->callable; }

/* super().name without a super object. NEW or NULL. *is_method (may be NULL): set to 1 when the result is a function that
 * wants obj as its first argument. */
PyObject *super_lookup(PyTypeObject *type, PyObject *obj, PyObject *name, int *is_method);

/* Of a module (module.c); with suppress, NULL without exception when missing. */
PyObject *module_getattr(PyObject *module, PyObject *name, bool suppress);
/* Does the module of that file (a str) lie in the directory of the script? Is that the name of one of the standard library (-1)? */
int module_may_shadow(PyObject *origin);
int module_shadows_stdlib(PyObject *name);

/* TypeError: the C function takes no keyword arguments. Returns NULL. */
void *function_refuse_keywords(PyObject *func);

#endif
