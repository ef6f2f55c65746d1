/* The _interpqueues module: queues between interpreters, known by number.
 *
 * Queues belong to no interpreter: they are C memory in Process, under one lock. Values are packed before the lock is taken and
 * unpacked or freed after it was given back, so that nothing runs under it. When an interpreter ends, its items are taken out
 * or become unbound, as their `unboundop` says. */
#include "capi/args.h"
#include "modules/interpshared.h"
#include "modules/support.h"
#include "runtime/crossinterp.h"

#include <stdlib.h>

#define P (&_PyRuntime.runtime)

typedef struct QueueItem {
    struct QueueItem *next;
    int64_t interp;
    SharedValue *value;                       /* NULL: unbound */
    int format, unbound_op;
} QueueItem;

typedef struct SharedQueue {
    struct SharedQueue *next;
    int64_t id;
    int64_t references;
    Py_ssize_t limit, count;                  /* limit <= 0: none */
    int format, unbound_op;
    QueueItem *first, *last;
} SharedQueue;

typedef struct QueuesState { PyObject *error, *not_found, *queue_type, *empty, *full; } QueuesState;

typedef enum QueueProblem { QUEUE_FINE, QUEUE_NOT_FOUND, QUEUE_EMPTY, QUEUE_FULL, QUEUE_NEVER_BOUND } QueueProblem;

static struct PyModuleDef queues_definition;

/* ---- the queues, under the lock -------------------------------------------------------------------------------------- */

static SharedQueue **queue_place(int64_t id)
{
    SharedQueue **place = &P->queues;
    while (*place && (*place)->id != id) place = &(*place)->next;
    return place;
}

static SharedQueue *queue_unlink(int64_t id)
{
    SharedQueue **place = queue_place(id), *q = *place;
    if (q) *place = q->next;
    return q;
}

static void items_free(QueueItem *items)
{
    for (QueueItem *next; items; items = next) {
        next = items->next;
        crossinterp_value_free(items->value);
        free(items);
    }
}

static void queue_free(SharedQueue *q)                      /* without the lock */
{
    if (!q) return;
    items_free(q->first);
    free(q);
}

static QueueProblem queue_bind(int64_t id)
{
    shared_lock();
    SharedQueue *q = *queue_place(id);
    if (q) q->references++;
    shared_unlock();
    return q ? QUEUE_FINE : QUEUE_NOT_FOUND;
}

static QueueProblem queue_unbind(int64_t id)
{
    QueueProblem problem = QUEUE_FINE;
    shared_lock();
    SharedQueue *q = *queue_place(id);
    if (!q) problem = QUEUE_NOT_FOUND;
    else if (q->references == 0) problem = QUEUE_NEVER_BOUND;
    else if (--q->references == 0) queue_unlink(id);
    else q = NULL;
    shared_unlock();
    if (problem == QUEUE_FINE) queue_free(q);
    return problem;
}

/* What an ending interpreter put in goes or becomes unbound. */
static QueueItem *queue_forget(SharedQueue *q, int64_t interp)
{
    QueueItem *gone = NULL, *last = NULL;
    for (QueueItem **place = &q->first, *item; (item = *place);) {
        if (item->interp == interp && item->value) {
            QueueItem *husk = item;
            if (item->unbound_op == UNBOUND_REMOVE) {
                *place = item->next;
                q->count--;
                husk->next = gone;
                gone = husk;
                continue;
            }
            /* The value is freed later, without the lock: in an item of its own; when there is no memory for that, it leaks. */
            if ((husk = calloc(1, sizeof *husk))) {
                *husk = (QueueItem){ .next = gone, .value = item->value };
                gone = husk;
            }
            item->value = NULL;
        }
        last = item;
        place = &item->next;
    }
    q->last = last;
    return gone;
}

static void queues_forget(void *argument)
{
    int64_t interp = ((Interpreter *)argument)->runtime.id;
    QueueItem *gone = NULL;
    shared_lock();
    for (SharedQueue *q = P->queues; q; q = q->next) {
        QueueItem *items = queue_forget(q, interp), **end = &items;
        while (*end) end = &(*end)->next;
        *end = gone;
        gone = items;
    }
    shared_unlock();
    items_free(gone);
}

/* ---- exceptions and arguments ------------------------------------------------------------------------------------------ */

/* The classes of the Python module, which registers them when it is imported. */
static int external_types(QueuesState *state)
{
    if (state->empty && state->full) return 0;
    if (interpshared_import("interpreters.queues", "test.support.interpreters.queues") < 0) return -1;
    if (state->empty && state->full) return 0;
    PyErr_SetString(PyExc_RuntimeError, "interpreters.queues did not register its exceptions");
    return -1;
}

static PyObject *queue_raise(PyObject *module, QueueProblem problem, int64_t id)
{
    QueuesState *state = PyModule_GetState(module);
    if ((problem == QUEUE_EMPTY || problem == QUEUE_FULL) && external_types(state) < 0) return NULL;
    long long number = id;
    switch (problem) {
    case QUEUE_FINE: Py_RETURN_NONE;
    case QUEUE_NOT_FOUND: return PyErr_Format(state->not_found, "queue %lld not found", number);
    case QUEUE_EMPTY: return PyErr_Format(state->empty, "queue %lld is empty", number);
    case QUEUE_FULL: return PyErr_Format(state->full, "queue %lld is full", number);
    case QUEUE_NEVER_BOUND: return PyErr_Format(state->error, "queue %lld never bound", number);
    }
    return NULL;
}

static int queue_id(PyObject *o, void *result)
{
    if (!PyIndex_Check(o)) {
        PyErr_Format(PyExc_TypeError, "queue ID must be an int, got %.100s", Py_TYPE(o)->tp_name);
        return 0;
    }
    PyObject *index = PyNumber_Index(o);
    if (!index) return 0;
    int overflow;
    int64_t id = PyLong_AsLongLongAndOverflow(index, &overflow);
    Py_DECREF(index);
    if (id == -1 && PyErr_Occurred()) return 0;
    if (overflow > 0) PyErr_Format(PyExc_OverflowError, "max queue ID is %lld, got %R", (long long)INT64_MAX, o);
    else if (overflow < 0 || id < 0) PyErr_Format(PyExc_ValueError, "queue ID must be a non-negative int, got %R", o);
    else {
        *(int64_t *)result = id;
        return 1;
    }
    return 0;
}

/* The methods that take nothing but the number. */
static int only_id(PyObject *args, PyObject *kwargs, const char *format, int64_t *id)
{
    static const char *const names[] = { "qid", NULL };
    return PyArg_ParseTupleAndKeywords(args, kwargs, format, (char **)names, queue_id, id) ? 0 : -1;
}

/* ---- methods ------------------------------------------------------------------------------------------------------------ */

static PyObject *queues_create(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static const char *const names[] = { "maxsize", "fmt", "unboundop", NULL };
    Py_ssize_t limit;
    int format, unbound_op;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "nii:create", (char **)names, &limit, &format, &unbound_op)) return NULL;
    if (interpshared_check_op(unbound_op) < 0) return NULL;
    SharedQueue *q = calloc(1, sizeof *q);
    if (!q) return PyErr_NoMemory();
    shared_lock();
    int64_t id = ++P->next_queue_id;
    *q = (SharedQueue){ .next = P->queues, .id = id, .limit = limit, .format = format, .unbound_op = unbound_op };
    P->queues = q;
    shared_unlock();
    PyObject *number = PyLong_FromLongLong(id);
    if (!number) {
        shared_lock();
        q = queue_unlink(id);
        shared_unlock();
        queue_free(q);
    }
    return number;
}

static PyObject *queues_destroy(PyObject *module, PyObject *args, PyObject *kwargs)
{
    int64_t id;
    if (only_id(args, kwargs, "O&:destroy", &id) < 0) return NULL;
    shared_lock();
    SharedQueue *q = queue_unlink(id);
    shared_unlock();
    queue_free(q);
    return queue_raise(module, q ? QUEUE_FINE : QUEUE_NOT_FOUND, id);
}

static PyObject *queues_list_all(PyObject *module, PyObject *Py_UNUSED(ignored))
{
    typedef struct Entry { int64_t id; int format, unbound_op; } Entry;
    size_t n = 0, i = 0;
    shared_lock();
    for (SharedQueue *q = P->queues; q; q = q->next) n++;
    Entry *entries = malloc((n + 1) * sizeof *entries);
    for (SharedQueue *q = P->queues; entries && q; q = q->next) entries[i++] = (Entry){ q->id, q->format, q->unbound_op };
    shared_unlock();
    if (!entries) return PyErr_NoMemory();
    PyObject *list = PyList_New((Py_ssize_t)n);
    for (i = 0; list && i < n; i++) {
        PyObject *entry = Py_BuildValue("(Lii)", (long long)entries[i].id, entries[i].format, entries[i].unbound_op);
        if (entry) PyList_SET_ITEM(list, (Py_ssize_t)i, entry);
        else Py_CLEAR(list);
    }
    free(entries);
    return list;
}

static PyObject *queues_put(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static const char *const names[] = { "qid", "obj", "fmt", "unboundop", NULL };
    int64_t id;
    PyObject *object;
    int format, unbound_op;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O&Oii:put", (char **)names, queue_id, &id, &object, &format, &unbound_op)) return NULL;
    if (interpshared_check_op(unbound_op) < 0) return NULL;
    shared_lock();
    bool there = *queue_place(id);
    shared_unlock();
    if (!there) return queue_raise(module, QUEUE_NOT_FOUND, id);

    QueueItem *item = calloc(1, sizeof *item);
    if (!item) return PyErr_NoMemory();
    *item = (QueueItem){ .interp = interp_get()->runtime.id, .format = format, .unbound_op = unbound_op };
    if (!(item->value = crossinterp_value_new(object))) {
        free(item);
        return NULL;
    }
    QueueProblem problem = QUEUE_FINE;
    shared_lock();
    SharedQueue *q = *queue_place(id);
    if (!q) problem = QUEUE_NOT_FOUND;
    else if (q->limit > 0 && q->count >= q->limit) problem = QUEUE_FULL;
    else {
        if (q->first) q->last->next = item;
        else q->first = item;
        q->last = item;
        q->count++;
    }
    shared_unlock();
    if (problem) items_free(item);
    return queue_raise(module, problem, id);
}

static PyObject *queues_get(PyObject *module, PyObject *args, PyObject *kwargs)
{
    int64_t id;
    if (only_id(args, kwargs, "O&:get", &id) < 0) return NULL;
    shared_lock();
    SharedQueue *q = *queue_place(id);
    QueueItem *item = q ? q->first : NULL;
    if (item) {
        q->first = item->next;
        if (!q->first) q->last = NULL;
        q->count--;
        item->next = NULL;
    }
    shared_unlock();
    if (!item) return queue_raise(module, q ? QUEUE_EMPTY : QUEUE_NOT_FOUND, id);
    PyObject *result;
    if (item->value) {
        PyObject *value = crossinterp_value_object(item->value);
        result = value ? Py_BuildValue("(NiO)", value, item->format, Py_None) : NULL;
    }
    else result = Py_BuildValue("(Oii)", Py_None, item->format, item->unbound_op);
    items_free(item);
    return result;
}

static PyObject *queues_bind(PyObject *module, PyObject *args, PyObject *kwargs)
{
    int64_t id;
    return only_id(args, kwargs, "O&:bind", &id) < 0 ? NULL : queue_raise(module, queue_bind(id), id);
}

static PyObject *queues_release(PyObject *module, PyObject *args, PyObject *kwargs)
{
    int64_t id;
    return only_id(args, kwargs, "O&:release", &id) < 0 ? NULL : queue_raise(module, queue_unbind(id), id);
}

/* A copy of the queue's numbers. 0, or -1 with QueueNotFoundError. */
static int queue_look(PyObject *module, int64_t id, SharedQueue *copy)
{
    shared_lock();
    SharedQueue *q = *queue_place(id);
    if (q) *copy = *q;
    shared_unlock();
    if (!q) queue_raise(module, QUEUE_NOT_FOUND, id);
    return q ? 0 : -1;
}

static PyObject *queues_get_maxsize(PyObject *module, PyObject *args, PyObject *kwargs)
{
    int64_t id;
    SharedQueue q;
    if (only_id(args, kwargs, "O&:get_maxsize", &id) < 0 || queue_look(module, id, &q) < 0) return NULL;
    return PyLong_FromSsize_t(q.limit);
}

static PyObject *queues_get_queue_defaults(PyObject *module, PyObject *args, PyObject *kwargs)
{
    int64_t id;
    SharedQueue q;
    if (only_id(args, kwargs, "O&:get_queue_defaults", &id) < 0 || queue_look(module, id, &q) < 0) return NULL;
    return Py_BuildValue("(ii)", q.format, q.unbound_op);
}

static PyObject *queues_is_full(PyObject *module, PyObject *args, PyObject *kwargs)
{
    int64_t id;
    SharedQueue q;
    if (only_id(args, kwargs, "O&:is_full", &id) < 0 || queue_look(module, id, &q) < 0) return NULL;
    return PyBool_FromLong(q.limit > 0 && q.count >= q.limit);
}

static PyObject *queues_get_count(PyObject *module, PyObject *args, PyObject *kwargs)
{
    int64_t id;
    SharedQueue q;
    if (only_id(args, kwargs, "O&:get_count", &id) < 0 || queue_look(module, id, &q) < 0) return NULL;
    return PyLong_FromSsize_t(q.count);
}

/* ---- queue objects cross ------------------------------------------------------------------------------------------------ */

static int queue_object_pack(PyObject *o, int64_t *id, int *detail)
{
    PyObject *number = PyObject_GetAttrString(o, "_id");
    if (!number) return -1;
    int status = queue_id(number, id) ? 0 : -1;
    Py_DECREF(number);
    if (status == 0 && queue_bind(*id) != QUEUE_FINE) {
        PyObject *module = PyImport_ImportModule("_interpqueues");
        if (module) queue_raise(module, QUEUE_NOT_FOUND, *id);
        Py_XDECREF(module);
        return -1;
    }
    return status;
}

static PyObject *queue_object_unpack(int64_t id, int detail)
{
    PyObject *module = PyImport_ImportModule("_interpqueues"), *result = NULL;
    if (!module) return NULL;
    QueuesState *state = PyModule_GetState(module);
    if (!state->queue_type && interpshared_import("interpreters.queues", "test.support.interpreters.queues") < 0) goto done;
    PyObject *type = state->queue_type, *number = PyLong_FromLongLong(id);
    if (!type) PyErr_SetString(PyExc_RuntimeError, "interpreters.queues did not register its class");
    else if (number) {
        Py_INCREF(type);
        result = PyObject_CallOneArg(type, number);
        Py_DECREF(type);
    }
    Py_XDECREF(number);
done:
    Py_DECREF(module);
    return result;
}

static void queue_object_release(int64_t id, int detail) { queue_unbind(id); }

static const ShareableClass queue_class = { queue_object_pack, queue_object_unpack, queue_object_release };

static PyObject *queues_register(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static const char *const names[] = { "queuetype", "emptyerror", "fullerror", NULL };
    PyObject *type, *empty, *full;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OOO:_register_heap_types", (char **)names, &type, &empty, &full)) return NULL;
    const char *wrong = !PyExceptionClass_Check(empty) ? "emptyerror" : !PyExceptionClass_Check(full) ? "fullerror" : NULL;
    if (!PyType_Check(type)) return PyErr_Format(PyExc_TypeError, "expected a type for 'queuetype'");
    if (wrong) return PyErr_Format(PyExc_TypeError, "expected an exception type for '%s'", wrong);
    QueuesState *state = PyModule_GetState(module);
    if (crossinterp_register((PyTypeObject *)type, &queue_class) < 0) return NULL;
    SET_FIELD(state->queue_type, Py_NewRef(type));
    SET_FIELD(state->empty, Py_NewRef(empty));
    SET_FIELD(state->full, Py_NewRef(full));
    Py_RETURN_NONE;
}

/* ---- module --------------------------------------------------------------------------------------------------------------- */

#define KEYWORD_METHOD(name, function, doc) { name, (PyCFunction)(void (*)(void))function, METH_VARARGS | METH_KEYWORDS, doc }

static PyMethodDef queues_methods[] = {
    KEYWORD_METHOD("create", queues_create, "create(maxsize, fmt, unboundop) -> qid\n\nMake a queue between interpreters and return its number."),
    KEYWORD_METHOD("destroy", queues_destroy, "destroy(qid)\n\nEmpty the queue and forget it."),
    { "list_all", queues_list_all, METH_NOARGS, "list_all() -> [(qid, fmt, unboundop)]\n\nAll queues with their defaults." },
    KEYWORD_METHOD("put", queues_put, "put(qid, obj, fmt, unboundop)\n\nAdd the object's data to the queue."),
    KEYWORD_METHOD("get", queues_get, "get(qid) -> (obj, fmt, unboundop)\n\nTake the first item out of the queue; QueueEmpty when there is none."),
    KEYWORD_METHOD("bind", queues_bind, "bind(qid)\n\nTake a reference to the queue, which lives until the last is released."),
    KEYWORD_METHOD("release", queues_release, "release(qid)\n\nRelease a reference to the queue."),
    KEYWORD_METHOD("get_maxsize", queues_get_maxsize, "get_maxsize(qid)\n\nHow many items the queue may have."),
    KEYWORD_METHOD("get_queue_defaults", queues_get_queue_defaults, "get_queue_defaults(qid)\n\nFormat and unboundop that it was made with."),
    KEYWORD_METHOD("is_full", queues_is_full, "is_full(qid)\n\nDoes it have as many items as it may have?"),
    KEYWORD_METHOD("get_count", queues_get_count, "get_count(qid)\n\nThe number of items in the queue."),
    KEYWORD_METHOD("_register_heap_types", queues_register, NULL),
    { 0 }
};

static int queues_exec(PyObject *module)
{
    QueuesState *state = PyModule_GetState(module);
    state->error = PyErr_NewExceptionWithDoc("test.support.interpreters.QueueError", "Indicates that a queue-related error happened.",
                                             PyExc_RuntimeError, NULL);
    if (!state->error) return -1;
    state->not_found = PyErr_NewException("test.support.interpreters.QueueNotFoundError", state->error, NULL);
    if (!state->not_found || PyModule_AddType(module, (PyTypeObject *)state->error) < 0) return -1;
    if (PyModule_AddType(module, (PyTypeObject *)state->not_found) < 0) return -1;
    return PyUnstable_AtExit(interp_get(), queues_forget, interp_get());
}

static int queues_traverse(PyObject *module, visitproc visit, void *arg)
{
    QueuesState *state = PyModule_GetState(module);
    Py_VISIT(state->error);
    Py_VISIT(state->not_found);
    Py_VISIT(state->queue_type);
    Py_VISIT(state->empty);
    Py_VISIT(state->full);
    return 0;
}

static int queues_clear(PyObject *module)
{
    QueuesState *state = PyModule_GetState(module);
    Py_CLEAR(state->error);
    Py_CLEAR(state->not_found);
    Py_CLEAR(state->queue_type);
    Py_CLEAR(state->empty);
    Py_CLEAR(state->full);
    return 0;
}

static void queues_free(void *module) { queues_clear(module); }

static PyModuleDef_Slot queues_slots[] = { { Py_mod_exec, queues_exec }, MODULE_SLOTS_COMMON, { 0 } };
static struct PyModuleDef queues_definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_interpqueues",
    .m_doc = "Queues between interpreters. The 'interpreters' module provides a more convenient interface.",
    .m_size = sizeof(QueuesState),
    .m_methods = queues_methods,
    .m_slots = queues_slots,
    .m_traverse = queues_traverse,
    .m_clear = queues_clear,
    .m_free = queues_free,
};
PyMODINIT_FUNC PyInit__interpqueues(void) { return PyModuleDef_Init(&queues_definition); }
