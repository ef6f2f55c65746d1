/* _thread: starting and joining threads, locks, thread-local data.
 *
 * A ThreadHandle is counted apart from its Python object, because the thread that ends drops its reference without the GIL.
 * Handles of threads that are not daemons are waited for at exit (_shutdown). */
#include "runtime/state.h"
#include "runtime/runtime_private.h"
#include "runtime/pytime.h"
#include "capi/args.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#define P (&_PyRuntime.runtime)

typedef struct ThreadState_ {
    PyTypeObject *lock_type, *rlock_type, *local_type, *dummy_type, *handle_type, *hook_args_type;
} ThreadModule;

static struct PyModuleDef thread_module;

static ThreadModule *module_state(PyObject *module) { return PyModule_GetState(module); }

/* ---- waiting ---------------------------------------------------------------------------------------------------- */

/* Acquires a futex word, giving up the GIL; timeout in nanoseconds, negative: for ever. Signals run their handlers.
 * PY_LOCK_ACQUIRED, PY_LOCK_FAILURE (timed out), PY_LOCK_INTR with an exception. */
static PyLockStatus word_acquire(uint32_t *word, PyTime_t timeout)
{
    uint32_t expected = 0;
    if (__atomic_compare_exchange_n(word, &expected, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) return PY_LOCK_ACQUIRED;
    if (timeout == 0) return PY_LOCK_FAILURE;
    PyTime_t deadline = timeout > 0 ? time_deadline(timeout) : 0;
    for (;;) {
        PyLockStatus status;
        PyTime_t us = timeout < 0 ? -1 : time_as_microseconds(timeout, ROUND_TIME_CEILING);
        Py_BEGIN_ALLOW_THREADS
        status = PyThread_acquire_lock_timed(word, us, 1);
        Py_END_ALLOW_THREADS
        if (status != PY_LOCK_INTR) return status;
        if (Py_MakePendingCalls() < 0) return PY_LOCK_INTR;
        if (timeout > 0 && (timeout = time_left(deadline)) <= 0) timeout = 0;
        if (timeout == 0) {
            expected = 0;
            return __atomic_compare_exchange_n(word, &expected, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED) ? PY_LOCK_ACQUIRED
                                                                                                             : PY_LOCK_FAILURE;
        }
    }
}

SIGNATURE(acquire_signature, "acquire", KEYWORDS, "(blocking=True, timeout=-1)");

/* blocking and timeout as acquire() takes them -> nanoseconds, -1 for ever. 0 / -1. */
static int acquire_arguments(PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames, PyTime_t *timeout)
{
    PyObject *arg[2];
    *timeout = -1;
    if (args_bind(&acquire_signature, args, nargs, kwnames, arg) < 0) return -1;
    int blocking = arg[0] ? PyObject_IsTrue(arg[0]) : 1;
    if (blocking < 0) return -1;
    PyTime_t unset = -1000000000LL;
    *timeout = unset;
    if (arg[1] && time_from_seconds_object(timeout, arg[1], ROUND_TIMEOUT) < 0) return -1;
    if (!blocking && *timeout != unset) {
        PyErr_SetString(PyExc_ValueError, "can't specify a timeout for a non-blocking call");
        return -1;
    }
    if (*timeout < 0 && *timeout != unset) {
        PyErr_SetString(PyExc_ValueError, "timeout value must be a non-negative number");
        return -1;
    }
    if (!blocking) *timeout = 0;
    else if (*timeout == unset) *timeout = -1;
    else if (*timeout / 1000 > PY_TIMEOUT_MAX) {
        PyErr_SetString(PyExc_OverflowError, "timeout value is too large");
        return -1;
    }
    return 0;
}

#define RAW(name) (PyCFunction)(void (*)(void))name, METH_FASTCALL | METH_KEYWORDS

/* ---- lock ------------------------------------------------------------------------------------------------------- */

typedef struct Lock { PyObject_HEAD uint32_t word; PyObject *weakrefs; } Lock;

static int lock_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    return 0;
}

static void lock_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    if (((Lock *)self)->weakrefs) PyObject_ClearWeakRefs(self);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyObject *lock_new(PyTypeObject *type)
{
    Lock *lock = (Lock *)type->tp_alloc(type, 0);
    return (PyObject *)lock;
}

static PyObject *lock_type_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    if (PyTuple_GET_SIZE(args) || (kwargs && PyDict_GET_SIZE(kwargs))) {
        if (kwargs && PyDict_GET_SIZE(kwargs)) PyErr_SetString(PyExc_TypeError, "lock() takes no keyword arguments");
        else PyErr_Format(PyExc_TypeError, "lock expected 0 arguments, got %zd", PyTuple_GET_SIZE(args));
        return NULL;
    }
    return lock_new(type);
}

static PyObject *lock_acquire(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    PyTime_t timeout;
    if (acquire_arguments(args, nargs, kwnames, &timeout) < 0) return NULL;
    PyLockStatus status = word_acquire(&((Lock *)self)->word, timeout);
    if (status == PY_LOCK_INTR) return NULL;
    return PyBool_FromLong(status == PY_LOCK_ACQUIRED);
}

/* acquire() by another name; `with` calls it without arguments. */
static PyObject *lock_enter(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    if (UNLIKELY(nargs || kwnames)) return lock_acquire(self, args, nargs, kwnames);
    PyLockStatus status = word_acquire(&((Lock *)self)->word, -1);
    if (status == PY_LOCK_INTR) return NULL;
    Py_RETURN_TRUE;
}

static PyObject *lock_release(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    Lock *lock = (Lock *)self;
    if (!__atomic_load_n(&lock->word, __ATOMIC_RELAXED)) {
        PyErr_SetString(PyExc_RuntimeError, "release unlocked lock");
        return NULL;
    }
    PyThread_release_lock(&lock->word);
    Py_RETURN_NONE;
}

static PyObject *lock_exit(PyObject *self, PyObject *const *Py_UNUSED(args), Py_ssize_t Py_UNUSED(nargs)) { return lock_release(self, NULL); }
static PyObject *lock_locked(PyObject *self, PyObject *Py_UNUSED(ignored)) { return PyBool_FromLong(((Lock *)self)->word != 0); }

static PyObject *lock_repr(PyObject *self)
{
    return PyUnicode_FromFormat("<%s %s object at %p>", ((Lock *)self)->word ? "locked" : "unlocked", Py_TYPE(self)->tp_name, self);
}

static PyObject *lock_at_fork_reinit(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    ((Lock *)self)->word = 0;
    Py_RETURN_NONE;
}

static const char acquire_doc[] =
    "acquire($self, /, blocking=True, timeout=-1)\n--\n\n"
    "Lock the lock.  Without argument, this blocks if the lock is already\n"
    "locked (even by the same thread), waiting for another thread to release\n"
    "the lock, and return True once the lock is acquired.\n"
    "With an argument, this will only block if the argument is true,\n"
    "and the return value reflects whether the lock is acquired.\n"
    "The blocking operation is interruptible.";
static const char release_doc[] =
    "release($self, /)\n--\n\n"
    "Release the lock, allowing another thread that is blocked waiting for\n"
    "the lock to acquire the lock.  The lock must be in the locked state,\n"
    "but it needn't be locked by the same thread that unlocks it.";
static const char locked_doc[] = "locked($self, /)\n--\n\nReturn whether the lock is in the locked state.";

static PyMethodDef lock_methods[] = {
    {"acquire_lock", RAW(lock_acquire), "acquire_lock($self, /, blocking=True, timeout=-1)\n--\n\nAn obsolete synonym of acquire()."}, {"acquire", RAW(lock_acquire), acquire_doc},
    {"release_lock", lock_release, METH_NOARGS, "An obsolete synonym of release()."}, {"release", lock_release, METH_NOARGS, release_doc},
    {"locked_lock", lock_locked, METH_NOARGS, "An obsolete synonym of locked()."}, {"locked", lock_locked, METH_NOARGS, locked_doc},
    {"__enter__", RAW(lock_enter), "__enter__($self, /)\n--\n\nLock the lock."},
    {"__exit__", (PyCFunction)(void (*)(void))lock_exit, METH_FASTCALL | METH_BARE_NAME, "__exit__($self, /, *exc_info)\n--\n\nRelease the lock."},
    {"_at_fork_reinit", lock_at_fork_reinit, METH_NOARGS, NULL}, {0}
};

static PyMemberDef lock_members[] = { {"__weaklistoffset__", Py_T_PYSSIZET, offsetof(Lock, weakrefs), Py_READONLY, NULL}, {0} };

static PyType_Slot lock_slots[] = {
    {Py_tp_dealloc, (void *)lock_dealloc}, {Py_tp_repr, (void *)lock_repr}, {Py_tp_methods, lock_methods},
    {Py_tp_members, lock_members}, {Py_tp_traverse, (void *)lock_traverse}, {Py_tp_new, (void *)lock_type_new},
    {Py_tp_doc, (void *)"lock()\n--\n\nA lock: acquired and released by any thread. threading.Lock() makes one."}, {0, NULL}
};
static PyType_Spec lock_spec = {
    .name = "_thread.lock", .basicsize = sizeof(Lock), .slots = lock_slots,
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
};

/* ---- RLock ------------------------------------------------------------------------------------------------------ */

typedef struct RLock { PyObject_HEAD uint32_t word; unsigned long owner; unsigned long count; PyObject *weakrefs; } RLock;

static void rlock_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    if (((RLock *)self)->weakrefs) PyObject_ClearWeakRefs(self);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyObject *rlock_new(PyTypeObject *type, PyObject *Py_UNUSED(args), PyObject *Py_UNUSED(kwargs))
{
    return type->tp_alloc(type, 0);
}

static bool rlock_mine(RLock *lock) { return lock->owner == PyThread_get_thread_ident() && lock->count > 0; }

static PyObject *rlock_acquire_for(RLock *lock, PyTime_t timeout)
{
    if (rlock_mine(lock)) {
        if (lock->count == ULONG_MAX) {
            PyErr_SetString(PyExc_OverflowError, "Internal lock count overflowed");
            return NULL;
        }
        lock->count++;
        Py_RETURN_TRUE;
    }
    PyLockStatus status = word_acquire(&lock->word, timeout);
    if (status == PY_LOCK_INTR) return NULL;
    if (status != PY_LOCK_ACQUIRED) Py_RETURN_FALSE;
    lock->owner = PyThread_get_thread_ident();
    lock->count = 1;
    Py_RETURN_TRUE;
}

static PyObject *rlock_acquire(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    PyTime_t timeout;
    if (acquire_arguments(args, nargs, kwnames, &timeout) < 0) return NULL;
    return rlock_acquire_for((RLock *)self, timeout);
}

static PyObject *rlock_enter(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    return LIKELY(!nargs && !kwnames) ? rlock_acquire_for((RLock *)self, -1) : rlock_acquire(self, args, nargs, kwnames);
}

static PyObject *rlock_release(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    RLock *lock = (RLock *)self;
    if (!rlock_mine(lock)) {
        PyErr_SetString(PyExc_RuntimeError, "cannot release un-acquired lock");
        return NULL;
    }
    if (--lock->count == 0) {
        lock->owner = 0;
        PyThread_release_lock(&lock->word);
    }
    Py_RETURN_NONE;
}

static PyObject *rlock_exit(PyObject *self, PyObject *const *Py_UNUSED(args), Py_ssize_t Py_UNUSED(nargs)) { return rlock_release(self, NULL); }

static PyObject *rlock_acquire_restore(PyObject *self, PyObject *args)
{
    RLock *lock = (RLock *)self;
    unsigned long count, owner;
    if (!PyArg_ParseTuple(args, "(kk):_acquire_restore", &count, &owner)) return NULL;
    if (!__sync_bool_compare_and_swap(&lock->word, 0, 1)) {
        int acquired;
        Py_BEGIN_ALLOW_THREADS
        acquired = PyThread_acquire_lock(&lock->word, 1);
        Py_END_ALLOW_THREADS
        if (!acquired) {
            PyErr_SetString(PyExc_RuntimeError, "couldn't acquire lock");
            return NULL;
        }
    }
    lock->owner = owner;
    lock->count = count;
    Py_RETURN_NONE;
}

static PyObject *rlock_release_save(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    RLock *lock = (RLock *)self;
    if (lock->count == 0) {
        PyErr_SetString(PyExc_RuntimeError, "cannot release un-acquired lock");
        return NULL;
    }
    unsigned long owner = lock->owner, count = lock->count;
    lock->count = 0;
    lock->owner = 0;
    PyThread_release_lock(&lock->word);
    return Py_BuildValue("kk", count, owner);
}

static PyObject *rlock_recursion_count(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    RLock *lock = (RLock *)self;
    return PyLong_FromUnsignedLong(rlock_mine(lock) ? lock->count : 0);
}

static PyObject *rlock_is_owned(PyObject *self, PyObject *Py_UNUSED(ignored)) { return PyBool_FromLong(rlock_mine((RLock *)self)); }

static PyObject *rlock_repr(PyObject *self)
{
    RLock *lock = (RLock *)self;
    return PyUnicode_FromFormat("<%s %s object owner=%lu count=%lu at %p>", lock->count ? "locked" : "unlocked", Py_TYPE(self)->tp_name,
                                lock->owner, lock->count, self);
}

static PyObject *rlock_at_fork_reinit(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    RLock *lock = (RLock *)self;
    lock->word = 0;
    lock->owner = lock->count = 0;
    Py_RETURN_NONE;
}

static PyMethodDef rlock_methods[] = {
    {"acquire", RAW(rlock_acquire),
     "acquire($self, /, blocking=True, timeout=-1)\n--\n\n"
     "Lock the lock.  `blocking` indicates whether we should wait\n"
     "for the lock to be available or not.  If `blocking` is False\n"
     "and another thread holds the lock, the method will return False\n"
     "immediately.  If `blocking` is True and another thread holds\n"
     "the lock, the method will wait for the lock to be released,\n"
     "take it and then return True.\n"
     "(note: the blocking operation is interruptible.)\n\n"
     "In all other cases, the method will return True immediately.\n"
     "Precisely, if the current thread already holds the lock, its\n"
     "internal counter is simply incremented. If nobody holds the lock,\n"
     "the lock is taken and its internal counter initialized to 1."},
    {"release", rlock_release, METH_NOARGS,
     "release($self, /)\n--\n\n"
     "Release the lock, allowing another thread that is blocked waiting for\n"
     "the lock to acquire the lock.  The lock must be in the locked state,\n"
     "and must be locked by the same thread that unlocks it; otherwise a\n"
     "`RuntimeError` is raised."},
    {"_is_owned", rlock_is_owned, METH_NOARGS, "_is_owned($self, /)\n--\n\nFor internal use by `threading.Condition`."},
    {"_acquire_restore", rlock_acquire_restore, METH_VARARGS, "_acquire_restore($self, state, /)\n--\n\nFor internal use by `threading.Condition`."},
    {"_release_save", rlock_release_save, METH_NOARGS, "_release_save($self, /)\n--\n\nFor internal use by `threading.Condition`."},
    {"_recursion_count", rlock_recursion_count, METH_NOARGS, "_recursion_count($self, /)\n--\n\nFor internal use by reentrancy checks."},
    {"__enter__", RAW(rlock_enter), "__enter__($self, /)\n--\n\nLock the lock."},
    {"__exit__", (PyCFunction)(void (*)(void))rlock_exit, METH_FASTCALL | METH_BARE_NAME, "__exit__($self, /, *exc_info)\n--\n\nRelease the lock."},
    {"_at_fork_reinit", rlock_at_fork_reinit, METH_NOARGS, NULL}, {0}
};

static PyMemberDef rlock_members[] = { {"__weaklistoffset__", Py_T_PYSSIZET, offsetof(RLock, weakrefs), Py_READONLY, NULL}, {0} };

static PyType_Slot rlock_slots[] = {
    {Py_tp_dealloc, (void *)rlock_dealloc}, {Py_tp_repr, (void *)rlock_repr}, {Py_tp_methods, rlock_methods},
    {Py_tp_members, rlock_members}, {Py_tp_traverse, (void *)lock_traverse}, {Py_tp_alloc, (void *)PyType_GenericAlloc},
    {Py_tp_new, (void *)rlock_new}, {0, NULL}
};
static PyType_Spec rlock_spec = {
    .name = "_thread.RLock", .basicsize = sizeof(RLock), .slots = rlock_slots,
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
};

/* ---- local ------------------------------------------------------------------------------------------------------ */

/* A thread that used a local has a Dummy (ts->threading_local_key), which lists weak references to the locals it used.
 * A Local maps dummies to dicts. When the thread ends its dummy takes its entries out again. */
typedef struct Dummy { PyObject_HEAD PyObject *locals, *weakrefs; } Dummy;
typedef struct Local { PyObject_HEAD PyObject *args, *kwargs, *dicts, *weakrefs; } Local;

static void dummy_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    Dummy *dummy = (Dummy *)self;
    if (dummy->weakrefs) PyObject_ClearWeakRefs(self);
    Py_XDECREF(dummy->locals);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMemberDef dummy_members[] = { {"__weaklistoffset__", Py_T_PYSSIZET, offsetof(Dummy, weakrefs), Py_READONLY, NULL}, {0} };
static PyType_Slot dummy_slots[] = {
    {Py_tp_dealloc, (void *)dummy_dealloc}, {Py_tp_members, dummy_members}, {Py_tp_doc, (void *)"Thread-local dummy"}, {0, NULL}
};
static PyType_Spec dummy_spec = {
    .name = "_thread._localdummy", .basicsize = sizeof(Dummy), .slots = dummy_slots,
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE,
};

/* Called when a thread state is cleared: its values in thread-local objects go away. */
void thread_release_on_exit(PyThreadState *ts)
{
    PyObject *key = ts->threading_local_key;
    if (!key) return;
    ts->threading_local_key = NULL;
    PyObject *saved = PyErr_GetRaisedException(), *locals = ((Dummy *)key)->locals;
    for (Py_ssize_t i = 0; locals && i < PyList_GET_SIZE(locals); i++) {
        PyObject *local = NULL;
        if (PyWeakref_GetRef(PyList_GET_ITEM(locals, i), &local) > 0) {
            PyObject *dicts = ((Local *)local)->dicts;
            if (dicts && PyDict_Pop(dicts, key, NULL) < 0) PyErr_Clear();
            Py_DECREF(local);
        }
        PyErr_Clear();
    }
    Py_DECREF(key);
    PyErr_SetRaisedException(saved);
}

/* Takes the locals that are gone off a thread's list: it must not grow with every local that the thread ever used. */
static void dummy_prune(PyObject *key)
{
    PyObject *locals = key ? ((Dummy *)key)->locals : NULL;
    if (!locals) return;
    PyObject *saved = PyErr_GetRaisedException();
    for (Py_ssize_t i = PyList_GET_SIZE(locals) - 1; i >= 0; i--) {
        PyObject *local;
        int alive = PyWeakref_GetRef(PyList_GET_ITEM(locals, i), &local);
        if (alive > 0) Py_DECREF(local);
        else if (alive < 0 || PyList_SetSlice(locals, i, i + 1, NULL) < 0) PyErr_Clear();
    }
    PyErr_SetRaisedException(saved);
}

static PyObject *local_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    if (type->tp_init == PyBaseObject_Type.tp_init && (PyTuple_GET_SIZE(args) || (kwargs && PyDict_GET_SIZE(kwargs)))) {
        PyErr_SetString(PyExc_TypeError, "Initialization arguments are not supported");
        return NULL;
    }
    Local *self = (Local *)type->tp_alloc(type, 0);
    if (!self) return NULL;
    self->args = Py_XNewRef(args);
    self->kwargs = Py_XNewRef(kwargs);
    if (!(self->dicts = PyDict_New())) Py_CLEAR(self);
    return (PyObject *)self;
}

static int local_traverse(PyObject *o, visitproc visit, void *arg)
{
    Local *self = (Local *)o;
    Py_VISIT(Py_TYPE(o));
    Py_VISIT(self->args);
    Py_VISIT(self->kwargs);
    Py_VISIT(self->dicts);
    return 0;
}

static int local_clear(PyObject *o)
{
    Local *self = (Local *)o;
    Py_CLEAR(self->args);
    Py_CLEAR(self->kwargs);
    Py_CLEAR(self->dicts);
    return 0;
}

static void local_dealloc(PyObject *o)
{
    PyTypeObject *type = Py_TYPE(o);
    PyObject_GC_UnTrack(o);
    if (((Local *)o)->weakrefs) PyObject_ClearWeakRefs(o);
    dummy_prune(PyThreadState_Get()->threading_local_key);
    local_clear(o);
    type->tp_free(o);
    Py_DECREF(type);
}

static PyObject *dummy_of_thread(PyThreadState *ts, Local *self)        /* borrowed */
{
    if (ts->threading_local_key) return ts->threading_local_key;
    PyObject *module = PyType_GetModuleByDef(Py_TYPE(self), &thread_module);
    if (!module) return NULL;
    ThreadModule *state = module_state(module);
    Dummy *dummy = (Dummy *)state->dummy_type->tp_alloc(state->dummy_type, 0);
    if (!dummy) return NULL;
    if (!(dummy->locals = PyList_New(0))) {
        Py_DECREF(dummy);
        return NULL;
    }
    ts->threading_local_key = (PyObject *)dummy;
    return (PyObject *)dummy;
}

/* The dict of this thread: borrowed. First use in a thread runs __init__ again, with the arguments the object was made with. */
static PyObject *local_dict(Local *self)
{
    PyThreadState *ts = PyThreadState_Get();
    PyObject *key = dummy_of_thread(ts, self);
    if (!key) return NULL;
    if (!self->dicts && !(self->dicts = PyDict_New())) return NULL;
    PyObject *dict = PyDict_GetItemWithError(self->dicts, key);
    if (dict || PyErr_Occurred()) return dict;
    if (!(dict = PyDict_New())) return NULL;
    PyObject *reference = PyWeakref_NewRef((PyObject *)self, NULL), *locals = ((Dummy *)key)->locals;
    if ((PyList_GET_SIZE(locals) & (PyList_GET_SIZE(locals) - 1)) == 0) dummy_prune(key);      /* of those that died in other threads */
    int status = reference ? PyList_Append(locals, reference) : -1;
    if (status == 0) status = PyDict_SetItem(self->dicts, key, dict);
    Py_XDECREF(reference);
    Py_DECREF(dict);
    if (status < 0) return NULL;
    PyTypeObject *type = Py_TYPE(self);
    if (type->tp_init != PyBaseObject_Type.tp_init && type->tp_init((PyObject *)self, self->args, self->kwargs) < 0) {
        PyObject *saved = PyErr_GetRaisedException();
        if (PyDict_Pop(self->dicts, key, NULL) < 0) PyErr_Clear();
        PyErr_SetRaisedException(saved);
        return NULL;
    }
    return self->dicts ? PyDict_GetItemWithError(self->dicts, key) : NULL;
}

static PyObject *local_getattro(PyObject *o, PyObject *name)
{
    PyObject *dict = local_dict((Local *)o);
    if (!dict) return NULL;
    if (PyUnicode_Check(name) && PyUnicode_Compare(name, STR(__dict__)) == 0) return Py_NewRef(dict);
    Py_INCREF(dict);
    PyObject *value = _PyObject_GenericGetAttrWithDict(o, name, dict, 0);
    Py_DECREF(dict);
    return value;
}

/* Asks as `name == "__dict__"` does, whatever name is. */
static int is_dict_name(PyObject *name) { return PyObject_RichCompareBool(name, STR(__dict__), Py_EQ); }

static int local_setattro(PyObject *o, PyObject *name, PyObject *value)
{
    PyObject *dict = local_dict((Local *)o);
    if (!dict) return -1;
    int wants_dict = is_dict_name(name);
    if (wants_dict < 0) return -1;
    if (wants_dict) {
        PyErr_Format(PyExc_AttributeError, "'%.100s' object attribute '%S' is read-only", Py_TYPE(o)->tp_name, name);
        return -1;
    }
    Py_INCREF(dict);
    int status = _PyObject_GenericSetAttrWithDict(o, name, value, dict);
    Py_DECREF(dict);
    return status;
}

static PyMemberDef local_members[] = { {"__weaklistoffset__", Py_T_PYSSIZET, offsetof(Local, weakrefs), Py_READONLY, NULL}, {0} };
static PyType_Slot local_slots[] = {
    {Py_tp_dealloc, (void *)local_dealloc}, {Py_tp_getattro, (void *)local_getattro}, {Py_tp_setattro, (void *)local_setattro},
    {Py_tp_doc, (void *)"_local()\n--\n\nThread-local data"}, {Py_tp_traverse, (void *)local_traverse}, {Py_tp_clear, (void *)local_clear},
    {Py_tp_new, (void *)local_new}, {Py_tp_members, local_members}, {0, NULL}
};
static PyType_Spec local_spec = {
    .name = "_thread._local", .basicsize = sizeof(Local), .slots = local_slots,
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
};

/* ---- handles ---------------------------------------------------------------------------------------------------- */

typedef enum HandleState { HANDLE_NOT_STARTED = 1, HANDLE_STARTING, HANDLE_RUNNING, HANDLE_DONE } HandleState;

/* Linked in RuntimeState.thread_handles while it waits to be joined at shutdown or after fork. */
typedef struct ThreadHandleRecord {
    struct ThreadHandleRecord *next, *previous;
    Interpreter *interp;
    int references;
    HandleState state;
    unsigned long ident;
    pthread_t os_handle;
    bool has_os_handle, non_daemon, linked;
    uint32_t exiting;                       /* futex: 1 once the thread is about to end */
    uint32_t joining;                       /* lock word: one joins, the others wait */
} ThreadHandleRecord;

typedef struct HandleObject { PyObject_HEAD ThreadHandleRecord *handle; } HandleObject;

static void handle_link(ThreadHandleRecord *h)
{
    lists_lock();
    h->previous = NULL;
    h->next = h->interp->runtime.thread_handles;
    if (h->next) h->next->previous = h;
    h->interp->runtime.thread_handles = h;
    h->linked = true;
    lists_unlock();
}

static void handle_unlink(ThreadHandleRecord *h)
{
    lists_lock();
    if (h->linked) {
        if (h->previous) h->previous->next = h->next;
        else h->interp->runtime.thread_handles = h->next;
        if (h->next) h->next->previous = h->previous;
        h->linked = false;
    }
    lists_unlock();
}

static ThreadHandleRecord *handle_new(void)
{
    ThreadHandleRecord *h = calloc(1, sizeof *h);
    if (!h) {
        PyErr_NoMemory();
        return NULL;
    }
    h->interp = interp_get();
    h->references = 1;
    h->state = HANDLE_NOT_STARTED;
    handle_link(h);
    return h;
}

static void handle_decref(ThreadHandleRecord *h)
{
    if (__atomic_sub_fetch(&h->references, 1, __ATOMIC_ACQ_REL) > 0) return;
    handle_unlink(h);
    if (h->has_os_handle && h->state != HANDLE_DONE) pthread_detach(h->os_handle);
    free(h);
}

static void handle_incref(ThreadHandleRecord *h) { __atomic_add_fetch(&h->references, 1, __ATOMIC_RELAXED); }

static void event_set(uint32_t *event)
{
    __atomic_store_n(event, 1, __ATOMIC_RELEASE);
    syscall(SYS_futex, event, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

/* Waits for the event. 1 set, 0 timed out, -1 exception of a signal handler. timeout < 0: for ever. */
static int event_wait(uint32_t *event, PyTime_t timeout)
{
    PyTime_t deadline = timeout > 0 ? time_deadline(timeout) : 0;
    while (!__atomic_load_n(event, __ATOMIC_ACQUIRE)) {
        struct timespec left;
        if (timeout == 0) return 0;
        if (timeout > 0) time_as_timespec_clamped(timeout, &left);
        int error;
        Py_BEGIN_ALLOW_THREADS
        long r = syscall(SYS_futex, event, FUTEX_WAIT_PRIVATE, 0, timeout > 0 ? &left : NULL, NULL, 0);
        error = r < 0 ? errno : 0;
        Py_END_ALLOW_THREADS
        if (error == EINTR && Py_MakePendingCalls() < 0) return -1;
        if (timeout > 0 && (timeout = time_left(deadline)) < 0) timeout = 0;
    }
    return 1;
}

/* 0 / -1. Returns without the thread having ended when the time is up. */
static int handle_join(ThreadHandleRecord *h, PyTime_t timeout)
{
    if (h->state == HANDLE_NOT_STARTED) {
        PyErr_SetString(PyExc_RuntimeError, "thread not started");
        return -1;
    }
    bool exiting = __atomic_load_n(&h->exiting, __ATOMIC_ACQUIRE);
    if (!exiting && h->ident == PyThread_get_thread_ident()) {
        PyErr_SetString(PyExc_RuntimeError, "Cannot join current thread");
        return -1;
    }
    if (!exiting) {
        int set = event_wait(&h->exiting, timeout);
        if (set < 0) return -1;
        if (!set) return 0;
    }
    if (h->state == HANDLE_DONE) return 0;
    PyLockStatus status = word_acquire(&h->joining, -1);
    if (status == PY_LOCK_INTR) return -1;
    int result = 0;
    if (h->state != HANDLE_DONE) {
        if (h->has_os_handle) {
            int error;
            Py_BEGIN_ALLOW_THREADS
            error = pthread_join(h->os_handle, NULL);
            Py_END_ALLOW_THREADS
            if (error) {
                PyErr_SetString(PyExc_RuntimeError, "Failed joining thread");
                result = -1;
            }
            else h->has_os_handle = false;
        }
        if (!result) h->state = HANDLE_DONE;
    }
    PyThread_release_lock(&h->joining);
    return result;
}

/* In the child of fork only the calling thread is left. */
void thread_handles_after_fork(PyThreadState *ts)
{
    for (ThreadHandleRecord *h = ts->interp->runtime.thread_handles, *next; h; h = next) {
        next = h->next;
        if (h->ident == ts->thread_id || h->state == HANDLE_NOT_STARTED) continue;
        h->state = HANDLE_DONE;
        h->has_os_handle = false;
        h->exiting = 1;
        h->joining = 0;
    }
    ts->interp->runtime.threads_running = 0;
}

static HandleObject *handle_object_new(PyTypeObject *type)
{
    ThreadHandleRecord *h = handle_new();
    if (!h) return NULL;
    HandleObject *self = (HandleObject *)type->tp_alloc(type, 0);
    if (!self) {
        handle_decref(h);
        return NULL;
    }
    self->handle = h;
    return self;
}

static PyObject *handle_type_new(PyTypeObject *type, PyObject *Py_UNUSED(args), PyObject *Py_UNUSED(kwargs))
{
    return (PyObject *)handle_object_new(type);
}

static void handle_object_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    if (((HandleObject *)self)->handle) handle_decref(((HandleObject *)self)->handle);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyObject *handle_object_repr(PyObject *self)
{
    return PyUnicode_FromFormat("<%s object: ident=%lu>", Py_TYPE(self)->tp_name, ((HandleObject *)self)->handle->ident);
}

static PyObject *handle_object_ident(PyObject *self, void *Py_UNUSED(closure))
{
    return PyLong_FromUnsignedLong(((HandleObject *)self)->handle->ident);
}

static PyObject *handle_object_join(PyObject *self, PyObject *args)
{
    PyObject *timeout_object = NULL;
    PyTime_t timeout = -1;
    if (!PyArg_ParseTuple(args, "|O:join", &timeout_object)) return NULL;
    if (timeout_object && timeout_object != Py_None) {
        if (time_from_seconds_object(&timeout, timeout_object, ROUND_TIMEOUT) < 0) return NULL;
        if (timeout < 0) timeout = -1;
    }
    ThreadHandleRecord *h = ((HandleObject *)self)->handle;
    handle_incref(h);
    int status = handle_join(h, timeout);
    handle_decref(h);
    if (status < 0) return NULL;
    Py_RETURN_NONE;
}

static PyObject *handle_object_is_done(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return PyBool_FromLong(__atomic_load_n(&((HandleObject *)self)->handle->exiting, __ATOMIC_ACQUIRE) != 0);
}

static PyObject *handle_object_set_done(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    ThreadHandleRecord *h = ((HandleObject *)self)->handle;
    if (h->state != HANDLE_RUNNING && h->state != HANDLE_DONE) {
        PyErr_SetString(PyExc_RuntimeError, "thread not started");
        return NULL;
    }
    if (h->has_os_handle) {
        pthread_detach(h->os_handle);
        h->has_os_handle = false;
    }
    h->non_daemon = false;
    h->state = HANDLE_DONE;
    event_set(&h->exiting);
    Py_RETURN_NONE;
}

static PyGetSetDef handle_getset[] = { {"ident", handle_object_ident, NULL, NULL, NULL}, {0} };
static PyMethodDef handle_methods[] = {
    {"join", handle_object_join, METH_VARARGS, NULL}, {"_set_done", handle_object_set_done, METH_NOARGS, NULL},
    {"is_done", handle_object_is_done, METH_NOARGS, NULL}, {0}
};
static PyType_Slot handle_slots[] = {
    {Py_tp_dealloc, (void *)handle_object_dealloc}, {Py_tp_repr, (void *)handle_object_repr}, {Py_tp_getset, handle_getset},
    {Py_tp_traverse, (void *)lock_traverse}, {Py_tp_methods, handle_methods}, {Py_tp_new, (void *)handle_type_new}, {0, NULL}
};
static PyType_Spec handle_spec = {
    .name = "_thread._ThreadHandle", .basicsize = sizeof(HandleObject), .slots = handle_slots,
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_HAVE_GC,
};

/* ---- starting --------------------------------------------------------------------------------------------------- */

typedef struct Boot {
    PyThreadState *ts;
    PyObject *function, *args, *kwargs;
    ThreadHandleRecord *handle;
    uint32_t ready;                         /* the creator has filled in handle */
} Boot;

static void boot_free(Boot *boot)
{
    Py_DECREF(boot->function);
    Py_DECREF(boot->args);
    Py_XDECREF(boot->kwargs);
    handle_decref(boot->handle);
    PyMem_RawFree(boot);
}

static void thread_run(void *p)
{
    Boot *boot = p;
    PyThreadState *ts = boot->ts;
    while (!__atomic_load_n(&boot->ready, __ATOMIC_ACQUIRE)) syscall(SYS_futex, &boot->ready, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
    ThreadHandleRecord *handle = boot->handle;
    handle_incref(handle);
    thread_bind(ts);
    thread_attach(ts);
    ts->interp->runtime.threads_running++;
    PyObject *result = PyObject_Call(boot->function, boot->args, boot->kwargs);
    if (!result) {
        if (PyErr_ExceptionMatches(PyExc_SystemExit)) PyErr_Clear();
        else PyErr_FormatUnraisable("Exception ignored in thread started by %R", boot->function);
    }
    else Py_DECREF(result);
    boot_free(boot);
    ts->interp->runtime.threads_running--;
    PyThreadState_Clear(ts);
    handle->non_daemon = false;
    event_set(&handle->exiting);            /* still with the GIL: nobody can end the interpreter in between */
    PyThreadState_DeleteCurrent();
    handle_decref(handle);
}

/* 0 / -1. */
static int thread_start(ThreadHandleRecord *handle, PyObject *function, PyObject *args, PyObject *kwargs, bool daemon)
{
    Interpreter *interp = interp_get();
    if (!(interp->runtime.feature_flags & FEATURE_THREADS)) {
        PyErr_SetString(PyExc_RuntimeError, "thread is not supported for isolated subinterpreters");
        return -1;
    }
    if (interp->runtime.finalizing) {
        PyErr_SetString(PyExc_PythonFinalizationError, "can't create new thread at interpreter shutdown");
        return -1;
    }
    if (handle->state != HANDLE_NOT_STARTED) {
        PyErr_SetString(PyExc_RuntimeError, "thread already started");
        return -1;
    }
    Boot *boot = PyMem_RawCalloc(1, sizeof *boot);
    if (!boot || !(boot->ts = thread_new(interp))) {
        PyMem_RawFree(boot);
        PyErr_NoMemory();
        return -1;
    }
    handle->state = HANDLE_STARTING;
    boot->function = Py_NewRef(function);
    boot->args = Py_NewRef(args);
    boot->kwargs = Py_XNewRef(kwargs);
    boot->handle = handle;
    handle_incref(handle);
    pthread_t os_handle;
    if (thread_start_os(thread_run, boot, &os_handle)) {
        PyThreadState *ts = boot->ts;
        boot_free(boot);
        handle->state = HANDLE_NOT_STARTED;
        PyThreadState_Clear(ts);
        thread_unlink_free(ts);
        PyErr_SetString(PyExc_RuntimeError, "can't start new thread");
        return -1;
    }
    handle->os_handle = os_handle;
    handle->has_os_handle = true;
    handle->ident = (unsigned long)os_handle;
    handle->non_daemon = !daemon;
    handle->state = HANDLE_RUNNING;
    event_set(&boot->ready);
    return 0;
}

static PyObject *start_new_thread(PyObject *Py_UNUSED(module), PyObject *fargs)
{
    PyObject *function, *args, *kwargs = NULL;
    if (!PyArg_UnpackTuple(fargs, "start_new_thread", 2, 3, &function, &args, &kwargs)) return NULL;
    if (!PyCallable_Check(function)) {
        PyErr_SetString(PyExc_TypeError, "first arg must be callable");
        return NULL;
    }
    if (!PyTuple_Check(args)) {
        PyErr_SetString(PyExc_TypeError, "2nd arg must be a tuple");
        return NULL;
    }
    if (kwargs && !PyDict_Check(kwargs)) {
        PyErr_SetString(PyExc_TypeError, "optional 3rd arg must be a dictionary");
        return NULL;
    }
    if (PySys_Audit("_thread.start_new_thread", "OOO", function, args, kwargs ? kwargs : Py_None) < 0) return NULL;
    ThreadHandleRecord *handle = handle_new();
    if (!handle) return NULL;
    int status = thread_start(handle, function, args, kwargs, true);
    unsigned long ident = handle->ident;
    handle_decref(handle);
    return status < 0 ? NULL : PyLong_FromUnsignedLong(ident);
}

BUILTIN(thread, start_joinable_thread, KEYWORDS, "($module, /, function, handle=None, daemon=True)",
        "*For internal use only*: start a new thread.\n\n"
        "Like start_new_thread(), this starts a new thread calling the given function.\n"
        "Unlike start_new_thread(), this returns a handle object with methods to join\n"
        "or detach the given thread.\n"
        "This function is not for third-party code, please use the\n"
        "`threading` module instead. During finalization the runtime will not wait for\n"
        "the thread to exit if daemon is True. If handle is provided it must be a\n"
        "newly created thread._ThreadHandle instance.")
{
    ThreadModule *state = module_state(self);
    PyObject *handle = arg[1];
    int daemon = arg[2] ? PyObject_IsTrue(arg[2]) : 1;
    if (daemon < 0) return NULL;
    if (!PyCallable_Check(arg[0])) {
        PyErr_SetString(PyExc_TypeError, "thread function must be callable");
        return NULL;
    }
    if (handle == Py_None) handle = NULL;
    if (handle && !Py_IS_TYPE(handle, state->handle_type)) {
        PyErr_SetString(PyExc_TypeError, "'handle' must be a _ThreadHandle");
        return NULL;
    }
    if (PySys_Audit("_thread.start_joinable_thread", "OiO", arg[0], daemon, handle ? handle : Py_None) < 0) return NULL;
    if (daemon && !(interp_get()->runtime.feature_flags & FEATURE_DAEMON_THREADS)) {
        PyErr_SetString(PyExc_RuntimeError, "daemon threads are disabled in this (sub)interpreter");
        return NULL;
    }
    handle = handle ? Py_NewRef(handle) : (PyObject *)handle_object_new(state->handle_type);
    if (!handle) return NULL;
    if (thread_start(((HandleObject *)handle)->handle, arg[0], EMPTY_TUPLE, NULL, daemon) < 0) Py_CLEAR(handle);
    return handle;
}

/* ---- the other functions ---------------------------------------------------------------------------------------- */

BUILTIN_NOARGS(thread, daemon_threads_allowed, "($module, /)",
               "Return True if daemon threads are allowed in the current interpreter,\nand False otherwise.\n")
{
    return PyBool_FromLong((interp_get()->runtime.feature_flags & FEATURE_DAEMON_THREADS) != 0);
}

static PyObject *thread_exit(PyObject *Py_UNUSED(self), PyObject *Py_UNUSED(ignored))
{
    PyErr_SetNone(PyExc_SystemExit);
    return NULL;
}

BUILTIN(thread, interrupt_main, POSITIONAL, "($module, signum=signal.SIGINT, /)",
        "Simulate the arrival of the given signal in the main thread,\n"
        "where the corresponding signal handler will be executed.\n"
        "If *signum* is omitted, SIGINT is assumed.\n"
        "A subthread can use this function to interrupt the main thread.\n\n"
        "Note: the default signal handler for SIGINT raises ``KeyboardInterrupt``.")
{
    int number = SIGINT;
    if (arg[0] && (number = PyLong_AsInt(arg[0])) == -1 && PyErr_Occurred()) return NULL;
    if (PyErr_SetInterruptEx(number) < 0) {
        PyErr_SetString(PyExc_ValueError, "signal number out of range");
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *thread_allocate_lock(PyObject *module, PyObject *Py_UNUSED(ignored)) { return lock_new(module_state(module)->lock_type); }

BUILTIN_NOARGS(thread, get_ident, "($module, /)",
               "Return a non-zero integer that uniquely identifies the current thread\n"
               "amongst other threads that exist simultaneously.\n\n"
               "This may be used to identify per-thread resources.  Even though on\n"
               "some platforms threads identities may appear to be allocated\n"
               "consecutive numbers starting at 1, this behavior should not be relied\n"
               "upon, and the number should be seen purely as a magic cookie.\n"
               "A thread's identity may be reused for another thread after it exits.")
{
    return PyLong_FromUnsignedLong(PyThread_get_thread_ident());
}

BUILTIN_NOARGS(thread, get_native_id, "($module, /)",
               "Return a non-negative integer identifying the thread as reported\n"
               "by the OS (kernel). This may be used to uniquely identify a\n"
               "particular thread within a system.")
{
    return PyLong_FromUnsignedLong(PyThread_get_thread_native_id());
}

BUILTIN_NOARGS(thread, _count, "($module, /)",
               "Return the number of currently running Python threads, excluding\n"
               "the main thread. The returned number comprises all threads created\n"
               "through `start_new_thread()` as well as `threading.Thread`, and not\n"
               "yet finished.\n\n"
               "This function is meant for internal and specialized purposes only.\n"
               "In most applications `threading.enumerate()` should be used instead.")
{
    return PyLong_FromLong(interp_get()->runtime.threads_running);
}

BUILTIN(thread, stack_size, PARSED, "($module, size=0, /)",
        "Return the thread stack size used when creating new threads.  The\n"
        "optional size argument specifies the stack size (in bytes) to be used\n"
        "for subsequently created threads.  The size must be 0 (use platform or\n"
        "configured default) or a positive integer value of at least 32,768 (32k).\n"
        "If changing the thread stack size is unsupported, a ThreadError exception\n"
        "is raised. If the specified size is invalid, a ValueError exception\n"
        "is raised, and the stack size is unmodified.")
{
    Py_ssize_t size = arg[0] ? PyLong_AsSsize_t(arg[0]) : 0;
    if (size == -1 && PyErr_Occurred()) return NULL;
    if (size < 0) {
        PyErr_SetString(PyExc_ValueError, "size must be 0 or a positive value");
        return NULL;
    }
    size_t old = PyThread_get_stacksize();
    if (PyThread_set_stacksize((size_t)size) < 0) {
        PyErr_Format(PyExc_ValueError, "size not valid: %zd bytes", size);
        return NULL;
    }
    return PyLong_FromSsize_t((Py_ssize_t)old);
}

BUILTIN_O(thread, _excepthook, "($module, (exc_type, exc_value, exc_traceback, thread), /)", "Handle uncaught Thread.run() exception.")
{
    ThreadModule *state = module_state(self);
    if (!Py_IS_TYPE(arg, state->hook_args_type)) {
        PyErr_SetString(PyExc_TypeError, "_thread._excepthook argument type must be ExceptHookArgs");
        return NULL;
    }
    PyObject *type = PyStructSequence_GetItem(arg, 0), *value = PyStructSequence_GetItem(arg, 1), *tb = PyStructSequence_GetItem(arg, 2);
    PyObject *thread = PyStructSequence_GetItem(arg, 3), *file = sys_get(STR(stderr)), *name = NULL, *text = NULL;
    if (type == PyExc_SystemExit) Py_RETURN_NONE;
    if (!file || file == Py_None) {
        if (thread == Py_None) Py_RETURN_NONE;          /* nowhere to write */
        if (!(file = PyObject_GetAttrString(thread, "_stderr"))) return NULL;
        if (file == Py_None) return file;
    }
    else Py_INCREF(file);
    if (thread != Py_None && PyObject_GetOptionalAttrString(thread, "_name", &name) < 0) PyErr_Clear();
    if (name) text = PyUnicode_FromFormat("Exception in thread %S:\n", name);
    else text = PyUnicode_FromFormat("Exception in thread %lu:\n", PyThread_get_thread_ident());
    Py_XDECREF(name);
    int status = text ? PyFile_WriteObject(text, file, Py_PRINT_RAW) : -1;
    Py_XDECREF(text);
    if (status == 0) {
        if (value == Py_None) {                           /* only the class is known */
            PyObject *made = PyObject_CallNoArgs(type);
            if (made) display_exception(file, made, tb);
            else PyErr_Clear();
            Py_XDECREF(made);
        }
        else display_exception(file, value, tb);
        PyObject *flushed = PyObject_CallMethodNoArgs(file, STR(flush));
        if (!flushed) status = -1;
        Py_XDECREF(flushed);
    }
    Py_DECREF(file);
    if (status < 0) return NULL;
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(thread, _is_main_interpreter, "($module, /)", "Return True if the current interpreter is the main Python interpreter.")
{
    return PyBool_FromLong(interp_get() == P->main_interpreter);
}

BUILTIN_NOARGS(thread, _shutdown, "($module, /)", "Wait for all non-daemon threads (other than the calling thread) to stop.")
{
    unsigned long me = PyThread_get_thread_ident();
    Interpreter *interp = interp_get();
    for (;;) {
        ThreadHandleRecord *found = NULL;
        lists_lock();
        for (ThreadHandleRecord *h = interp->runtime.thread_handles; h && !found; h = h->next)
            if (h->non_daemon && h->ident != me && h->state != HANDLE_DONE) found = h;
        if (found) handle_incref(found);
        lists_unlock();
        if (!found) Py_RETURN_NONE;
        int status = handle_join(found, -1);
        handle_decref(found);
        if (status < 0) PyErr_WriteUnraisable(NULL);
    }
}

BUILTIN_O(thread, _make_thread_handle, "($module, ident, /)",
          "Internal only. Make a thread handle for threads not spawned\nby the _thread or threading module.")
{
    if (!PyLong_Check(arg)) {
        PyErr_SetString(PyExc_TypeError, "ident must be an integer");
        return NULL;
    }
    unsigned long ident = PyLong_AsUnsignedLong(arg);
    if (ident == (unsigned long)-1 && PyErr_Occurred()) return NULL;
    HandleObject *handle = handle_object_new(module_state(self)->handle_type);
    if (!handle) return NULL;
    handle->handle->ident = ident;
    handle->handle->state = HANDLE_RUNNING;
    return (PyObject *)handle;
}

BUILTIN_NOARGS(thread, _get_main_thread_ident, "($module, /)",
               "Internal only. Return a non-zero integer that uniquely identifies the main thread\n"
               "of the main interpreter.")
{
    return PyLong_FromUnsignedLong(P->main_thread);
}

static PyMethodDef thread_methods[] = {
    {"start_new_thread", start_new_thread, METH_VARARGS,
     "start_new_thread($module, function, args, kwargs={}, /)\n--\n\n"
     "Start a new thread and return its identifier.\n\n"
     "The thread will call the function with positional arguments from the\n"
     "tuple args and keyword arguments taken from the optional dictionary\n"
     "kwargs.  The thread exits when the function returns; the return value\n"
     "is ignored.  The thread will also exit when the function raises an\n"
     "unhandled exception; a stack trace will be printed unless the exception\n"
     "is SystemExit."},
    {"start_new", start_new_thread, METH_VARARGS,
     "start_new($module, function, args, kwargs={}, /)\n--\n\nAn obsolete synonym of start_new_thread()."},
    METHOD(thread, start_joinable_thread), METHOD(thread, daemon_threads_allowed),
    {"allocate_lock", thread_allocate_lock, METH_NOARGS,
     "allocate_lock($module, /)\n--\n\nCreate a new lock object. See help(type(threading.Lock())) for\ninformation about locks."},
    {"allocate", thread_allocate_lock, METH_NOARGS, "allocate($module, /)\n--\n\nAn obsolete synonym of allocate_lock()."},
    {"exit_thread", thread_exit, METH_NOARGS, "exit_thread($module, /)\n--\n\nAn obsolete synonym of exit()."},
    {"exit", thread_exit, METH_NOARGS,
     "exit($module, /)\n--\n\nThis is synonymous to ``raise SystemExit''.  It will cause the current\n"
     "thread to exit silently unless the exception is caught."},
    METHOD_BARE(thread, interrupt_main), METHOD(thread, get_ident), METHOD(thread, get_native_id), METHOD(thread, _count),
    METHOD_BARE(thread, stack_size), METHOD(thread, _excepthook), METHOD(thread, _is_main_interpreter), METHOD(thread, _shutdown),
    METHOD(thread, _make_thread_handle), METHOD(thread, _get_main_thread_ident), {0}
};

/* ---- the module ------------------------------------------------------------------------------------------------- */

static PyStructSequence_Field hook_fields[] = {
    {"exc_type", "Exception type"}, {"exc_value", "Exception value"}, {"exc_traceback", "Exception traceback"},
    {"thread", "Thread"}, {0}
};
static PyStructSequence_Desc hook_desc = {
    "_thread._ExceptHookArgs", "ExceptHookArgs\n\nType used to pass arguments to threading.excepthook.", hook_fields, 4
};

static PyTypeObject *type_add(PyObject *module, PyType_Spec *spec, const char *name)
{
    PyTypeObject *type = (PyTypeObject *)PyType_FromModuleAndSpec(module, spec, NULL);
    if (type && name && PyModule_AddObjectRef(module, name, (PyObject *)type) < 0) Py_CLEAR(type);
    return type;
}

static int thread_exec(PyObject *module)
{
    ThreadModule *s = module_state(module);
    if (!(s->handle_type = type_add(module, &handle_spec, "_ThreadHandle"))) return -1;
    if (!(s->lock_type = type_add(module, &lock_spec, "lock"))) return -1;
    if (PyModule_AddObjectRef(module, "LockType", (PyObject *)s->lock_type) < 0) return -1;
    if (!(s->rlock_type = type_add(module, &rlock_spec, "RLock"))) return -1;
    if (!(s->dummy_type = type_add(module, &dummy_spec, NULL))) return -1;
    if (!(s->local_type = type_add(module, &local_spec, "_local"))) return -1;
    if (PyModule_AddObjectRef(module, "error", PyExc_RuntimeError) < 0) return -1;
    if (!(s->hook_args_type = PyStructSequence_NewType(&hook_desc))) return -1;
    if (PyModule_AddObjectRef(module, "_ExceptHookArgs", (PyObject *)s->hook_args_type) < 0) return -1;
    PyObject *max = PyFloat_FromDouble((double)(PyTime_MAX / 1000000000));
    int status = PyModule_AddObjectRef(module, "TIMEOUT_MAX", max);
    Py_XDECREF(max);
    return status;
}

static int thread_traverse(PyObject *module, visitproc visit, void *arg)
{
    ThreadModule *s = module_state(module);
    Py_VISIT(s->lock_type);
    Py_VISIT(s->rlock_type);
    Py_VISIT(s->local_type);
    Py_VISIT(s->dummy_type);
    Py_VISIT(s->handle_type);
    Py_VISIT(s->hook_args_type);
    return 0;
}

static int thread_clear(PyObject *module)
{
    ThreadModule *s = module_state(module);
    Py_CLEAR(s->lock_type);
    Py_CLEAR(s->rlock_type);
    Py_CLEAR(s->local_type);
    Py_CLEAR(s->dummy_type);
    Py_CLEAR(s->handle_type);
    Py_CLEAR(s->hook_args_type);
    return 0;
}

static PyModuleDef_Slot thread_slots[] = {
    {Py_mod_exec, (void *)thread_exec}, {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED}, {0, NULL}
};

static struct PyModuleDef thread_module = {
    PyModuleDef_HEAD_INIT, .m_name = "_thread",
    .m_doc = "Threads, locks and thread-local data. Use the threading module, which is built upon this one.",
    .m_size = sizeof(ThreadModule), .m_methods = thread_methods, .m_slots = thread_slots, .m_traverse = thread_traverse,
    .m_clear = thread_clear,
};

PyMODINIT_FUNC PyInit__thread(void) { return PyModuleDef_Init(&thread_module); }
