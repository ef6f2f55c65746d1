/* The _queue module: SimpleQueue, an unbounded FIFO whose put() may be called from anywhere, signal handlers included.
 *
 * Items are a ring. Waiting readers sleep on a lock that is held while the queue is empty; put() releases it. */
#include "capi/args.h"

#include <math.h>
#include <time.h>

typedef struct QueueState { PyTypeObject *simple_queue; PyObject *empty; } QueueState;

typedef struct SimpleQueue {
    PyObject_HEAD
    PyThread_type_lock lock;                  /* held: nothing to take */
    bool locked;
    PyObject **items;                         /* ring of capacity entries */
    Py_ssize_t first, count, capacity;
    PyObject *weakrefs;
} SimpleQueue;

#define QUEUE(o) ((SimpleQueue *)(o))

static struct PyModuleDef queue_definition;

static int queue_push(SimpleQueue *q, PyObject *item)
{
    if (q->count == q->capacity) {
        Py_ssize_t capacity = q->capacity ? q->capacity * 2 : 8;
        PyObject **items = PyMem_New(PyObject *, (size_t)capacity);
        if (!items) {
            PyErr_NoMemory();
            return -1;
        }
        for (Py_ssize_t i = 0; i < q->count; i++) items[i] = q->items[(q->first + i) % q->capacity];
        PyMem_Free(q->items);
        q->items = items;
        q->capacity = capacity;
        q->first = 0;
    }
    q->items[(q->first + q->count++) % q->capacity] = Py_NewRef(item);
    return 0;
}

static PyObject *queue_pop(SimpleQueue *q)
{
    PyObject *item = q->items[q->first];
    q->first = (q->first + 1) % q->capacity;
    q->count--;
    return item;
}

static PyObject *queue_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    if (PyTuple_GET_SIZE(args)) return PyErr_Format(PyExc_TypeError, "SimpleQueue() takes no positional arguments");
    if (kwargs && PyDict_GET_SIZE(kwargs)) return PyErr_Format(PyExc_TypeError, "SimpleQueue() takes no keyword arguments");
    SimpleQueue *q = (SimpleQueue *)type->tp_alloc(type, 0);
    if (q && !(q->lock = PyThread_allocate_lock())) {
        Py_DECREF(q);
        PyErr_SetString(PyExc_MemoryError, "can't allocate lock");
        return NULL;
    }
    return (PyObject *)q;
}

static int queue_put(PyObject *self, PyObject *item)
{
    SimpleQueue *q = QUEUE(self);
    if (queue_push(q, item) < 0) return -1;
    if (q->locked) {                          /* someone waits */
        q->locked = false;
        PyThread_release_lock(q->lock);
    }
    return 0;
}

BUILTIN(SimpleQueue, put, KEYWORDS, "($self, /, item, block=True, timeout=None)",
        "Put the item on the queue. The optional arguments are ignored: the method never blocks.")
{
    if (queue_put(self, arg[0]) < 0) return NULL;
    Py_RETURN_NONE;
}

BUILTIN(SimpleQueue, put_nowait, KEYWORDS, "($self, /, item)", "Put an item into the queue without blocking.")
{
    if (queue_put(self, arg[0]) < 0) return NULL;
    Py_RETURN_NONE;
}

static PyObject *raise_empty(PyObject *self)
{
    QueueState *state = PyModule_GetState(PyType_GetModuleByDef(Py_TYPE(self), &queue_definition));
    PyErr_SetNone(state->empty);
    return NULL;
}

static int64_t now_us(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * 1000000LL + ts.tv_nsec / 1000;
}

static PyObject *queue_get(PyObject *self, bool block, int64_t timeout)
{
    SimpleQueue *q = QUEUE(self);
    int64_t deadline = timeout >= 0 ? now_us() + timeout : 0;
    while (q->count == 0) {
        PyLockStatus status = PY_LOCK_FAILURE;
        if (!block) return raise_empty(self);
        if (q->locked || PyThread_acquire_lock(q->lock, 0)) {
            /* the first acquisition marks the queue as waited for, the second sleeps until put() releases */
            q->locked = true;
            PY_TIMEOUT_T left = -1;
            if (timeout >= 0 && (left = deadline - now_us()) < 0) left = 0;
            Py_BEGIN_ALLOW_THREADS
            status = PyThread_acquire_lock_timed(q->lock, left, 1);
            Py_END_ALLOW_THREADS
        }
        if (status == PY_LOCK_INTR && Py_MakePendingCalls() < 0) return NULL;
        if (status == PY_LOCK_FAILURE) return raise_empty(self);
        if (status == PY_LOCK_ACQUIRED) q->locked = true;
    }
    PyObject *item = queue_pop(q);
    if (q->locked && q->count) {              /* several were put before we woke up: the next reader's turn */
        q->locked = false;
        PyThread_release_lock(q->lock);
    }
    return item;
}

BUILTIN(SimpleQueue, get, KEYWORDS, "($self, /, block=True, timeout=None)",
        "Remove and return an item from the queue; wait for one, at most timeout seconds, unless block is false. Raises Empty.")
{
    int block = arg[0] ? PyObject_IsTrue(arg[0]) : 1;
    int64_t timeout = -1;
    if (block < 0) return NULL;
    if (block && arg[1] && arg[1] != Py_None) {
        double seconds = PyFloat_AsDouble(arg[1]);
        if (seconds == -1.0 && PyErr_Occurred()) return NULL;
        if (seconds < 0) return PyErr_Format(PyExc_ValueError, "'timeout' must be a non-negative number");
        if (!(seconds * 1e6 < (double)PY_TIMEOUT_MAX)) return PyErr_Format(PyExc_OverflowError, "timeout value is too large");
        timeout = (int64_t)ceil(seconds * 1e6);
    }
    return queue_get(self, block, timeout);
}

BUILTIN_NOARGS(SimpleQueue, get_nowait, "($self, /)", "Remove and return an item from the queue without blocking. Raises Empty.") { return queue_get(self, false, -1); }
BUILTIN_NOARGS(SimpleQueue, empty, "($self, /)", "Return True if the queue is empty, False otherwise (not reliable!).") { return PyBool_FromLong(QUEUE(self)->count == 0); }
BUILTIN_NOARGS(SimpleQueue, qsize, "($self, /)", "Return the approximate size of the queue (not reliable!).") { return PyLong_FromSsize_t(QUEUE(self)->count); }

static int queue_clear(PyObject *self)
{
    SimpleQueue *q = QUEUE(self);
    while (q->count) Py_DECREF(queue_pop(q));
    return 0;
}

static void queue_dealloc(PyObject *self)
{
    SimpleQueue *q = QUEUE(self);
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    if (q->lock) {
        if (q->locked) PyThread_release_lock(q->lock);
        PyThread_free_lock(q->lock);
    }
    queue_clear(self);
    PyMem_Free(q->items);
    if (q->weakrefs) PyObject_ClearWeakRefs(self);
    type->tp_free(self);
    Py_DECREF(type);
}

static int queue_traverse(PyObject *self, visitproc visit, void *arg)
{
    SimpleQueue *q = QUEUE(self);
    for (Py_ssize_t i = 0; i < q->count; i++) Py_VISIT(q->items[(q->first + i) % q->capacity]);
    Py_VISIT(Py_TYPE(self));
    return 0;
}

static PyMethodDef queue_methods[] = {
    METHOD(SimpleQueue, put), METHOD(SimpleQueue, put_nowait), METHOD(SimpleQueue, get), METHOD_BARE(SimpleQueue, get_nowait),
    METHOD(SimpleQueue, empty), METHOD(SimpleQueue, qsize),
    { "__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, PyDoc_STR("See PEP 585") }, { 0 }
};
static PyMemberDef queue_members[] = { { "__weaklistoffset__", Py_T_PYSSIZET, offsetof(SimpleQueue, weakrefs), Py_READONLY, NULL }, { 0 } };
static PyType_Slot queue_type_slots[] = {
    { Py_tp_doc, "SimpleQueue()\n--\n\nSimple, unbounded, reentrant FIFO queue." }, { Py_tp_new, queue_new }, { Py_tp_dealloc, queue_dealloc },
    { Py_tp_traverse, queue_traverse }, { Py_tp_clear, queue_clear }, { Py_tp_methods, queue_methods }, { Py_tp_members, queue_members }, { 0, NULL }
};
static PyType_Spec queue_spec = {
    "_queue.SimpleQueue", sizeof(SimpleQueue), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE, queue_type_slots
};

static int queue_exec(PyObject *module)
{
    QueueState *state = PyModule_GetState(module);
    if (!(state->empty = PyErr_NewExceptionWithDoc("_queue.Empty", "Exception raised by Queue.get(block=0)/get_nowait().", NULL, NULL))) return -1;
    if (PyModule_AddObjectRef(module, "Empty", state->empty) < 0) return -1;
    if (!(state->simple_queue = (PyTypeObject *)PyType_FromModuleAndSpec(module, &queue_spec, NULL))) return -1;
    return PyModule_AddType(module, state->simple_queue);
}

static int queue_module_traverse(PyObject *module, visitproc visit, void *arg)
{
    QueueState *state = PyModule_GetState(module);
    Py_VISIT(state->simple_queue);
    Py_VISIT(state->empty);
    return 0;
}

static int queue_module_clear(PyObject *module)
{
    QueueState *state = PyModule_GetState(module);
    Py_CLEAR(state->simple_queue);
    Py_CLEAR(state->empty);
    return 0;
}

static void queue_module_free(void *module) { queue_module_clear(module); }

static PyModuleDef_Slot queue_slots[] = {
    { Py_mod_exec, queue_exec }, { Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED }, { 0 }
};
static struct PyModuleDef queue_definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_queue",
    .m_doc = "C implementation of the Python queue module.",
    .m_size = sizeof(QueueState),
    .m_slots = queue_slots,
    .m_traverse = queue_module_traverse,
    .m_clear = queue_module_clear,
    .m_free = queue_module_free,
};
PyMODINIT_FUNC PyInit__queue(void) { return PyModuleDef_Init(&queue_definition); }
