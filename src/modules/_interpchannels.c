/* The _interpchannels module: channels between interpreters, known by number, with a sending and a receiving end.
 *
 * Channels belong to no interpreter: they are C memory in Process, under one lock. Values are packed before the lock is taken and
 * unpacked or freed after it was given back, so that nothing runs under it. Every interpreter that used an end is associated with
 * it until it releases the end or goes; a channel whose ends are all released is closed. A channel is forgotten with the last
 * ChannelID that names it. */
#include "modules/_interpchannels.h"
#include "modules/interpshared.h"
#include "modules/support.h"
#include "runtime/crossinterp.h"
#include "runtime/pytime.h"

#include <stdlib.h>

#define P (&_PyRuntime.runtime)

typedef struct ChannelsState {
    PyObject *error, *not_found, *closed, *empty, *not_empty;
    PyTypeObject *info_type, *id_type;
    PyObject *send_type, *recv_type;
} ChannelsState;

/* named: the channel was there when the ID was made, and counts it. */
typedef struct ChannelID { PyObject_HEAD int64_t id; int end; bool resolve, named; } ChannelID;

#define CHANNEL_ID(o) ((ChannelID *)(o))

static struct PyModuleDef channels_definition;

/* ---- exceptions -------------------------------------------------------------------------------------------------------- */

static PyObject *channel_raise(PyObject *module, ChannelProblem problem, int64_t id)
{
    ChannelsState *state = PyModule_GetState(module);
    long long number = id;
    switch (problem) {
    case CHANNEL_FINE: Py_RETURN_NONE;
    case CHANNEL_NOT_FOUND: return PyErr_Format(state->not_found, "channel %lld not found", number);
    case CHANNEL_CLOSED: return PyErr_Format(state->closed, "channel %lld is closed", number);
    case CHANNEL_CLOSED_WAITING: return PyErr_Format(state->closed, "channel %lld has closed", number);
    case CHANNEL_END_CLOSED: return PyErr_Format(state->closed, "channel %lld is already closed", number);
    case CHANNEL_EMPTY: return PyErr_Format(state->empty, "channel %lld is empty", number);
    case CHANNEL_NOT_EMPTY:
        return PyErr_Format(state->not_empty, "channel %lld may not be closed if not empty (try force=True)", number);
    case CHANNEL_NO_MEMORY: return PyErr_NoMemory();
    }
    return NULL;
}

/* ---- ChannelID ---------------------------------------------------------------------------------------------------------- */

static void id_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    if (CHANNEL_ID(self)->named) channel_unname(CHANNEL_ID(self)->id);
    type->tp_free(self);
    Py_DECREF(type);
}

/* NEW. With force the channel need not exist. */
static PyObject *id_new(PyObject *module, int64_t id, int end, bool force, bool resolve)
{
    ChannelsState *state = PyModule_GetState(module);
    ChannelID *o = PyObject_New(ChannelID, state->id_type);
    if (!o) return NULL;
    o->id = id;
    o->end = end;
    o->resolve = resolve;
    o->named = channel_name(id);
    if (o->named || force) return OBJECT(o);
    Py_DECREF(o);
    return channel_raise(module, CHANNEL_NOT_FOUND, id);
}

typedef struct IdArgument { PyObject *module; int64_t id; int end; } IdArgument;

static int id_argument(PyObject *o, void *result)
{
    IdArgument *argument = result;
    ChannelsState *state = PyModule_GetState(argument->module);
    if (Py_IS_TYPE(o, state->id_type)) {
        argument->id = CHANNEL_ID(o)->id;
        argument->end = CHANNEL_ID(o)->end;
        return 1;
    }
    if (!PyIndex_Check(o)) {
        PyErr_Format(PyExc_TypeError, "channel ID must be an int, got %.100s", Py_TYPE(o)->tp_name);
        return 0;
    }
    PyObject *index = PyNumber_Index(o);
    if (!index) return 0;
    int overflow;
    int64_t id = PyLong_AsLongLongAndOverflow(index, &overflow);
    Py_DECREF(index);
    if (id == -1 && PyErr_Occurred()) return 0;
    if (overflow > 0) PyErr_SetString(PyExc_OverflowError, "int too big to convert");
    else if (overflow < 0 || id < 0) PyErr_Format(PyExc_ValueError, "channel ID must be a non-negative int, got %R", o);
    else {
        argument->id = id;
        argument->end = 0;
        return 1;
    }
    return 0;
}

static PyObject *id_repr(PyObject *self)
{
    static const char *const ends[] = { [0] = "", [CHANNEL_SEND] = ", send=True", [CHANNEL_RECV] = ", recv=True" };
    PyObject *name = PyType_GetName(Py_TYPE(self));
    PyObject *text = name ? PyUnicode_FromFormat("%U(%lld%s)", name, (long long)CHANNEL_ID(self)->id, ends[CHANNEL_ID(self)->end]) : NULL;
    Py_XDECREF(name);
    return text;
}

static PyObject *id_str(PyObject *self) { return PyUnicode_FromFormat("%lld", (long long)CHANNEL_ID(self)->id); }
static PyObject *id_int(PyObject *self) { return PyLong_FromLongLong(CHANNEL_ID(self)->id); }

static Py_hash_t id_hash(PyObject *self)
{
    PyObject *number = id_int(self);
    Py_hash_t hash = number ? PyObject_Hash(number) : -1;
    Py_XDECREF(number);
    return hash;
}

static PyObject *id_compare(PyObject *self, PyObject *other, int op)
{
    if (op != Py_EQ && op != Py_NE) Py_RETURN_NOTIMPLEMENTED;
    if (Py_IS_TYPE(other, Py_TYPE(self))) {
        bool equal = CHANNEL_ID(self)->id == CHANNEL_ID(other)->id && CHANNEL_ID(self)->end == CHANNEL_ID(other)->end;
        return PyBool_FromLong(equal == (op == Py_EQ));
    }
    if (!PyNumber_Check(other)) Py_RETURN_NOTIMPLEMENTED;
    PyObject *number = id_int(self), *result = number ? PyObject_RichCompare(number, other, op) : NULL;
    Py_XDECREF(number);
    return result;
}

static PyObject *id_end(PyObject *self, void *Py_UNUSED(closure))
{
    int end = CHANNEL_ID(self)->end;
    return PyUnicode_FromString(end == CHANNEL_SEND ? "send" : end == CHANNEL_RECV ? "recv" : "both");
}

static PyObject *id_with_end(PyObject *self, void *closure)
{
    PyObject *module = PyType_GetModuleByDef(Py_TYPE(self), &channels_definition);
    return module ? id_new(module, CHANNEL_ID(self)->id, closure ? CHANNEL_SEND : CHANNEL_RECV, true, false) : NULL;
}

static PyGetSetDef id_getset[] = {
    { "end", id_end, NULL, "'send', 'recv', or 'both'" },
    { "send", id_with_end, NULL, "the 'send' end of the channel", (void *)1 },
    { "recv", id_with_end, NULL, "the 'recv' end of the channel", NULL },
    { 0 }
};

static PyType_Slot id_slots[] = {
    SLOT(tp_dealloc, id_dealloc), SLOT(tp_doc, "A channel ID identifies a channel and may be used as an int."), SLOT(tp_repr, id_repr),
    SLOT(tp_str, id_str), SLOT(tp_hash, id_hash), SLOT(tp_richcompare, id_compare), SLOT(tp_getset, id_getset),
    SLOT(nb_int, id_int), SLOT(nb_index, id_int), { 0 }
};
static PyType_Spec id_spec = {
    .name = "_interpchannels.ChannelID", .basicsize = sizeof(ChannelID), .slots = id_slots,
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE,
};

/* How ids and ends cross: the end in the low bits of the detail. */
enum { DETAIL_RESOLVE = 4 };

static int id_pack(PyObject *o, int64_t *id, int *detail)
{
    *id = CHANNEL_ID(o)->id;
    *detail = CHANNEL_ID(o)->end | (CHANNEL_ID(o)->resolve ? DETAIL_RESOLVE : 0);
    return 0;
}

/* The Python class of an end. BORROWED; NULL without exception when there is none. */
static PyObject *end_class(ChannelsState *state, int end)
{
    for (int i = 0; i < 2; i++) {
        PyObject *class = end == CHANNEL_SEND ? state->send_type : end == CHANNEL_RECV ? state->recv_type : NULL;
        if (class || i) return class;
        if (interpshared_import("interpreters.channels", "test.support.interpreters.channels") < 0) PyErr_Clear();
    }
    return NULL;
}

static PyObject *id_unpack(int64_t id, int detail)
{
    PyObject *module = PyImport_ImportModule("_interpchannels");
    if (!module) return NULL;
    int end = detail & ~DETAIL_RESOLVE;
    PyObject *o = id_new(module, id, end, false, false);
    if (o && end && detail & DETAIL_RESOLVE) {
        PyObject *class = Py_XNewRef(end_class(PyModule_GetState(module), end));
        PyObject *resolved = class ? PyObject_CallOneArg(class, o) : NULL;
        Py_XDECREF(class);
        if (resolved) SET_FIELD(o, resolved);
        else PyErr_Clear();
    }
    Py_DECREF(module);
    return o;
}

static int end_pack(PyObject *o, int64_t *id, int *detail)
{
    PyObject *module = PyImport_ImportModule("_interpchannels"), *number = module ? PyObject_GetAttrString(o, "_id") : NULL;
    int status = -1;
    if (number) {
        IdArgument argument = { .module = module };
        if (id_argument(number, &argument)) {
            *id = argument.id;
            *detail = argument.end | DETAIL_RESOLVE;
            status = 0;
        }
    }
    Py_XDECREF(number);
    Py_XDECREF(module);
    return status;
}

static const ShareableClass id_class = { id_pack, id_unpack, NULL };
static const ShareableClass end_classes = { end_pack, id_unpack, NULL };

/* ---- methods -------------------------------------------------------------------------------------------------------------- */

static const char *const only_id_names[] = { "cid", NULL };

#define ONLY_ID(name) \
    IdArgument cid = { .module = module }; \
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O&:" name, (char **)only_id_names, id_argument, &cid)) return NULL

static PyObject *channels_create(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static const char *const names[] = { "unboundop", NULL };
    int unbound_op;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "i:create", (char **)names, &unbound_op)) return NULL;
    if (interpshared_check_op(unbound_op) < 0) return NULL;
    int64_t id = channel_new(unbound_op);
    if (id < 0) return PyErr_NoMemory();
    PyObject *o = id_new(module, id, 0, false, false);
    if (!o) channel_destroy(id);
    return o;
}

static PyObject *channels_destroy(PyObject *module, PyObject *args, PyObject *kwargs)
{
    ONLY_ID("channel_destroy");
    return channel_raise(module, channel_destroy(cid.id), cid.id);
}

static PyObject *channels_list_all(PyObject *module, PyObject *Py_UNUSED(ignored))
{
    size_t n;
    ChannelEntry *entries = channel_list(&n);
    if (!entries) return PyErr_NoMemory();
    PyObject *list = PyList_New(0);
    for (size_t i = 0; list && i < n; i++) {
        PyObject *id = id_new(module, entries[i].id, 0, false, false);
        if (!id && PyErr_ExceptionMatches(((ChannelsState *)PyModule_GetState(module))->not_found)) {
            PyErr_Clear();                                  /* gone meanwhile */
            continue;
        }
        PyObject *pair = id ? Py_BuildValue("(Ni)", id, entries[i].unbound_op) : NULL;
        if (!pair || PyList_Append(list, pair) < 0) Py_CLEAR(list);
        Py_XDECREF(pair);
    }
    free(entries);
    return list;
}

static PyObject *channels_list_interpreters(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static const char *const names[] = { "cid", "send", NULL };
    IdArgument cid = { .module = module };
    int send;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O&$p:channel_list_interpreters", (char **)names, id_argument, &cid, &send)) return NULL;
    PyObject *list = PyList_New(0);
    for (Interpreter *interp = PyInterpreterState_Head(); list && interp; interp = PyInterpreterState_Next(interp)) {
        bool associated;
        ChannelProblem problem = channel_is_associated(cid.id, interp->runtime.id, send, &associated);
        if (problem) {
            channel_raise(module, problem, cid.id);
            Py_CLEAR(list);
        }
        else if (associated) {
            PyObject *number = PyLong_FromLongLong(interp->runtime.id);
            if (!number || PyList_Insert(list, 0, number) < 0) Py_CLEAR(list);
            Py_XDECREF(number);
        }
    }
    return list;
}

/* As for locks: microseconds, -1 to wait for ever. 0 or -1. */
static int timeout_argument(PyObject *o, int blocking, PY_TIMEOUT_T *timeout)
{
    *timeout = blocking ? -1 : 0;
    if (!o || o == Py_None) return 0;
    if (!blocking) {
        PyErr_SetString(PyExc_ValueError, "can't specify a timeout for a non-blocking call");
        return -1;
    }
    PyTime_t t;
    if (time_from_seconds_object(&t, o, ROUND_TIMEOUT) < 0) return -1;
    if (t < 0) PyErr_SetString(PyExc_ValueError, "timeout value must be a non-negative number");
    else if ((*timeout = time_as_microseconds(t, ROUND_TIMEOUT)) > PY_TIMEOUT_MAX) PyErr_SetString(PyExc_OverflowError, "timeout value is too large");
    else return 0;
    return -1;
}

/* 1: taken; 0: time is up; -1: a signal handler raised. */
static int waiting_lock(PyThread_type_lock lock, PY_TIMEOUT_T timeout)
{
    PyTime_t deadline = timeout > 0 ? time_deadline(timeout * 1000) : 0;
    for (;;) {
        PyLockStatus status = PyThread_acquire_lock_timed(lock, 0, 0);
        if (status == PY_LOCK_FAILURE && timeout != 0) {
            Py_BEGIN_ALLOW_THREADS
            status = PyThread_acquire_lock_timed(lock, timeout, 1);
            Py_END_ALLOW_THREADS
        }
        if (status == PY_LOCK_ACQUIRED) return 1;
        if (status == PY_LOCK_FAILURE) return 0;
        if (Py_MakePendingCalls() < 0) return -1;
        if (timeout > 0 && (timeout = time_as_microseconds(time_left(deadline), ROUND_TIMEOUT)) < 0) return 0;
    }
}

/* Waits until the item that was sent is received. */
static PyObject *send_wait(PyObject *module, int64_t id, Waiting *waiting, PY_TIMEOUT_T timeout)
{
    int done = waiting_lock(waiting->lock, timeout);
    PyObject *result = NULL;
    if (done > 0) result = channel_raise(module, waiting->received ? CHANNEL_FINE : CHANNEL_CLOSED_WAITING, id);
    else if (channel_take_back(id, waiting)) {
        if (done == 0) PyErr_SetString(PyExc_TimeoutError, "timed out");
    }
    else if (done == 0) {
        /* Someone has the item in hands: it is received, or dropped, in no time. */
        Py_BEGIN_ALLOW_THREADS
        PyThread_acquire_lock(waiting->lock, 1);
        Py_END_ALLOW_THREADS
        result = channel_raise(module, waiting->received ? CHANNEL_FINE : CHANNEL_CLOSED_WAITING, id);
    }
    waiting_drop(waiting);
    return result;
}

static PyObject *send(PyObject *module, int64_t id, PyObject *object, int unbound_op, int blocking, PY_TIMEOUT_T timeout)
{
    int64_t self = interp_get()->runtime.id;
    ChannelProblem problem = channel_may_send(id);
    if (problem) return channel_raise(module, problem, id);
    SharedValue *value = crossinterp_value_new(object);
    if (!value) return NULL;
    Waiting *waiting = blocking ? waiting_new() : NULL;
    if (blocking && !waiting) {
        crossinterp_value_free(value);
        return PyErr_NoMemory();
    }
    problem = channel_put(id, self, value, unbound_op, waiting);
    if (problem) {
        crossinterp_value_free(value);
        if (waiting) {
            waiting_drop(waiting);
            waiting_drop(waiting);
        }
        return channel_raise(module, problem, id);
    }
    if (waiting) return send_wait(module, id, waiting, timeout);
    Py_RETURN_NONE;
}

static PyObject *send_arguments(PyObject *module, PyObject *args, PyObject *kwargs, bool buffer)
{
    static const char *const names[] = { "cid", "obj", "unboundop", "blocking", "timeout", NULL };
    IdArgument cid = { .module = module };
    PyObject *object, *timeout_object = NULL;
    int unbound_op = UNBOUND_REPLACE, blocking = 1;
    PY_TIMEOUT_T timeout;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, buffer ? "O&O|i$pO:channel_send_buffer" : "O&O|i$pO:channel_send", (char **)names,
                                     id_argument, &cid, &object, &unbound_op, &blocking, &timeout_object)) return NULL;
    if (interpshared_check_op(unbound_op) < 0 || timeout_argument(timeout_object, blocking, &timeout) < 0) return NULL;
    if (!buffer) return send(module, cid.id, object, unbound_op, blocking, timeout);
    PyObject *view = PyMemoryView_FromObject(object);
    if (!view) return NULL;
    PyObject *result = send(module, cid.id, view, unbound_op, blocking, timeout);
    Py_DECREF(view);
    return result;
}

static PyObject *channels_send(PyObject *module, PyObject *args, PyObject *kwargs) { return send_arguments(module, args, kwargs, false); }
static PyObject *channels_send_buffer(PyObject *module, PyObject *args, PyObject *kwargs) { return send_arguments(module, args, kwargs, true); }

static PyObject *channels_recv(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static const char *const names[] = { "cid", "default", NULL };
    IdArgument cid = { .module = module };
    PyObject *otherwise = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O&|O:channel_recv", (char **)names, id_argument, &cid, &otherwise)) return NULL;
    ChannelItem *item;
    ChannelProblem problem = channel_get(cid.id, interp_get()->runtime.id, &item);
    if (problem == CHANNEL_EMPTY && otherwise) return Py_BuildValue("(OO)", otherwise, Py_None);
    if (problem) return channel_raise(module, problem, cid.id);
    PyObject *result;
    if (item->value) {
        PyObject *value = crossinterp_value_object(item->value);
        result = value ? Py_BuildValue("(NO)", value, Py_None) : NULL;
    }
    else result = Py_BuildValue("(Oi)", Py_None, item->unbound_op);
    channel_items_free(item, result != NULL);
    return result;
}

/* The ends that the switches name: 0 for both. -1 with ValueError. */
static int ends_argument(int send, int recv, int *end)
{
    if (send >= 0 && recv >= 0 && !send && !recv) {
        PyErr_SetString(PyExc_ValueError, "'send' and 'recv' cannot both be False");
        return -1;
    }
    *end = send > 0 && recv <= 0 ? CHANNEL_SEND : recv > 0 && send <= 0 ? CHANNEL_RECV : 0;
    return 0;
}

static PyObject *channels_close(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static const char *const names[] = { "cid", "send", "recv", "force", NULL };
    IdArgument cid = { .module = module };
    int send = 0, recv = 0, force = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O&|$ppp:channel_close", (char **)names, id_argument, &cid, &send, &recv, &force)) return NULL;
    int end = send == recv ? 0 : send ? CHANNEL_SEND : CHANNEL_RECV;
    return channel_raise(module, channel_close(cid.id, end, force), cid.id);
}

static PyObject *channels_release(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static const char *const names[] = { "cid", "send", "recv", "force", NULL };
    IdArgument cid = { .module = module };
    int send = 0, recv = 0, force = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O&|$ppp:channel_release", (char **)names, id_argument, &cid, &send, &recv, &force)) return NULL;
    int end = send == recv ? 0 : send ? CHANNEL_SEND : CHANNEL_RECV;
    return channel_raise(module, channel_release(cid.id, interp_get()->runtime.id, end), cid.id);
}

static PyObject *channels_get_count(PyObject *module, PyObject *args, PyObject *kwargs)
{
    ONLY_ID("get_count");
    Py_ssize_t count = 0;
    ChannelProblem problem = channel_count(cid.id, &count, NULL);
    return problem ? channel_raise(module, problem, cid.id) : PyLong_FromSsize_t(count);
}

static PyObject *channels_get_defaults(PyObject *module, PyObject *args, PyObject *kwargs)
{
    ONLY_ID("get_channel_defaults");
    int unbound_op = 0;
    ChannelProblem problem = channel_count(cid.id, NULL, &unbound_op);
    return problem ? channel_raise(module, problem, cid.id) : PyLong_FromLong(unbound_op);
}

static PyObject *channels_get_info(PyObject *module, PyObject *args, PyObject *kwargs)
{
    ONLY_ID("_get_info");
    ChannelInfo info;
    ChannelProblem problem = channel_info(cid.id, interp_get()->runtime.id, &info);
    if (problem) return channel_raise(module, problem, cid.id);
    PyObject *o = PyStructSequence_New(((ChannelsState *)PyModule_GetState(module))->info_type), *item;
    if (!o) return NULL;
    Py_ssize_t i = 0;
#define PUT(value) if (!(item = (value))) { Py_DECREF(o); return NULL; } PyStructSequence_SetItem(o, i++, item)
    PUT(PyBool_FromLong(info.open));
    PUT(PyBool_FromLong(info.closing));
    PUT(PyBool_FromLong(info.closed));
    PUT(PyLong_FromSsize_t(info.count));
    PUT(PyLong_FromSsize_t(info.send));
    PUT(PyLong_FromSsize_t(info.send_released));
    PUT(PyLong_FromSsize_t(info.recv));
    PUT(PyLong_FromSsize_t(info.recv_released));
    PUT(PyLong_FromSsize_t(info.both));
    PUT(PyLong_FromSsize_t(info.both_released));
    PUT(PyLong_FromSsize_t(info.both_send_released));
    PUT(PyLong_FromSsize_t(info.both_recv_released));
    PUT(PyBool_FromLong(info.self_send == END_OPEN));
    PUT(PyBool_FromLong(info.self_send == END_RELEASED));
    PUT(PyBool_FromLong(info.self_recv == END_OPEN));
    PUT(PyBool_FromLong(info.self_recv == END_RELEASED));
#undef PUT
    return o;
}

static PyObject *channels_channel_id(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static const char *const names[] = { "id", "send", "recv", "force", "_resolve", NULL };
    IdArgument cid = { .module = module };
    int send = -1, recv = -1, force = 0, resolve = 0, end;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O&|$pppp:ChannelID.__new__", (char **)names, id_argument, &cid, &send, &recv, &force, &resolve))
        return NULL;
    int given = cid.end;
    if (ends_argument(send, recv, &end) < 0) return NULL;
    if (!end && given && send < 0 && recv < 0) end = given;
    return id_new(module, cid.id, end, force, resolve);
}

static PyObject *channels_register(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static const char *const names[] = { "send", "recv", NULL };
    PyObject *send_type, *recv_type;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OO:_register_end_types", (char **)names, &send_type, &recv_type)) return NULL;
    if (!PyType_Check(send_type)) return PyErr_Format(PyExc_TypeError, "expected a type for 'send'");
    if (!PyType_Check(recv_type)) return PyErr_Format(PyExc_TypeError, "expected a type for 'recv'");
    if (crossinterp_register((PyTypeObject *)send_type, &end_classes) < 0 || crossinterp_register((PyTypeObject *)recv_type, &end_classes) < 0)
        return NULL;
    ChannelsState *state = PyModule_GetState(module);
    SET_FIELD(state->send_type, Py_NewRef(send_type));
    SET_FIELD(state->recv_type, Py_NewRef(recv_type));
    Py_RETURN_NONE;
}

/* ---- module --------------------------------------------------------------------------------------------------------------- */

#define KEYWORD_METHOD(name, function, doc) { name, (PyCFunction)(void (*)(void))function, METH_VARARGS | METH_KEYWORDS, doc }

static PyMethodDef channels_methods[] = {
    KEYWORD_METHOD("create", channels_create, "channel_create(unboundop) -> cid\n\nMake a channel between interpreters and return its ID."),
    KEYWORD_METHOD("destroy", channels_destroy, "channel_destroy(cid)\n\nClose the channel and forget it."),
    { "list_all", channels_list_all, METH_NOARGS, "channel_list_all() -> [(cid, unboundop)]\n\nAll channels that are not closed." },
    KEYWORD_METHOD("list_interpreters", channels_list_interpreters,
                   "channel_list_interpreters(cid, *, send) -> [id]\n\nThe interpreters associated with the sending or receiving end."),
    KEYWORD_METHOD("send", channels_send, "channel_send(cid, obj, unboundop, *, blocking=True, timeout=None)\n\n"
                   "Put the object's data into the channel, and wait until it is received."),
    KEYWORD_METHOD("send_buffer", channels_send_buffer, "channel_send_buffer(cid, obj, unboundop, *, blocking=True, timeout=None)\n\n"
                   "Put the object's buffer into the channel, and wait until it is received."),
    KEYWORD_METHOD("recv", channels_recv, "channel_recv(cid, [default]) -> (obj, unboundop)\n\nTake the first object out of the channel. "
                   "When there is none: the default, or ChannelEmptyError."),
    KEYWORD_METHOD("close", channels_close, "channel_close(cid, *, send=None, recv=None, force=False)\n\nClose the channel for all interpreters. "
                   "One that is not empty is closed by force,\nor with send=True as soon as it is empty; else ChannelNotEmptyError."),
    KEYWORD_METHOD("release", channels_release, "channel_release(cid, *, send=None, recv=None, force=True)\n\nClose ends of the channel for the "
                   "current interpreter; by default both."),
    KEYWORD_METHOD("get_count", channels_get_count, "get_count(cid)\n\nThe number of items in the channel."),
    KEYWORD_METHOD("get_info", channels_get_info, "get_info(cid)\n\nThe channel's state."),
    KEYWORD_METHOD("get_channel_defaults", channels_get_defaults, "get_channel_defaults(cid)\n\nThe unboundop that it was made with."),
    KEYWORD_METHOD("_channel_id", channels_channel_id, NULL), KEYWORD_METHOD("_register_end_types", channels_register, NULL),
    { 0 }
};

static PyStructSequence_Field info_fields[] = {
    { "open", "both ends are open" },
    { "closing", "send is closed, recv is non-empty" },
    { "closed", "both ends are closed" },
    { "count", "queued objects" },
    { "num_interp_send", "interpreters bound to the send end" },
    { "num_interp_send_released", "interpreters bound to the send end and released" },
    { "num_interp_recv", "interpreters bound to the send end" },
    { "num_interp_recv_released", "interpreters bound to the send end and released" },
    { "num_interp_both", "interpreters bound to both ends" },
    { "num_interp_both_released", "interpreters bound to both ends and released_from_both" },
    { "num_interp_both_send_released", "interpreters bound to both ends and released_from_the send end" },
    { "num_interp_both_recv_released", "interpreters bound to both ends and released_from_the recv end" },
    { "send_associated", "current interpreter is bound to the send end" },
    { "send_released", "current interpreter *was* bound to the send end" },
    { "recv_associated", "current interpreter is bound to the recv end" },
    { "recv_released", "current interpreter *was* bound to the recv end" },
    { 0 }
};
static PyStructSequence_Desc info_description = { "_interpchannels.ChannelInfo", "ChannelInfo\n\nA named tuple of a channel's state.", info_fields, 8 };

static void forget_interpreter(void *interp) { channels_forget(((Interpreter *)interp)->runtime.id); }

static int channels_exec(PyObject *module)
{
    ChannelsState *state = PyModule_GetState(module);
#define EXCEPTION_(place, name, base) \
    if (!(state->place = PyErr_NewException("_interpchannels." name, base, NULL)) || PyModule_AddObjectRef(module, name, state->place) < 0) return -1
    EXCEPTION_(error, "ChannelError", PyExc_RuntimeError);
    EXCEPTION_(not_found, "ChannelNotFoundError", state->error);
    EXCEPTION_(closed, "ChannelClosedError", state->error);
    EXCEPTION_(empty, "ChannelEmptyError", state->error);
    EXCEPTION_(not_empty, "ChannelNotEmptyError", state->error);
#undef EXCEPTION_
    state->info_type = PyStructSequence_NewType(&info_description);
    if (!state->info_type || PyModule_AddType(module, state->info_type) < 0) return -1;
    if (module_add_type(module, &id_spec, &state->id_type) < 0 || crossinterp_register(state->id_type, &id_class) < 0) return -1;
    return PyUnstable_AtExit(interp_get(), forget_interpreter, interp_get());
}

static int channels_traverse(PyObject *module, visitproc visit, void *arg)
{
    ChannelsState *state = PyModule_GetState(module);
    Py_VISIT(state->error);
    Py_VISIT(state->not_found);
    Py_VISIT(state->closed);
    Py_VISIT(state->empty);
    Py_VISIT(state->not_empty);
    Py_VISIT(state->info_type);
    Py_VISIT(state->id_type);
    Py_VISIT(state->send_type);
    Py_VISIT(state->recv_type);
    return 0;
}

static int channels_clear(PyObject *module)
{
    ChannelsState *state = PyModule_GetState(module);
    Py_CLEAR(state->error);
    Py_CLEAR(state->not_found);
    Py_CLEAR(state->closed);
    Py_CLEAR(state->empty);
    Py_CLEAR(state->not_empty);
    Py_CLEAR(state->info_type);
    Py_CLEAR(state->id_type);
    Py_CLEAR(state->send_type);
    Py_CLEAR(state->recv_type);
    return 0;
}

static void channels_free(void *module) { channels_clear(module); }

static PyModuleDef_Slot channels_slots[] = { { Py_mod_exec, channels_exec }, MODULE_SLOTS_COMMON, { 0 } };
static struct PyModuleDef channels_definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_interpchannels",
    .m_doc = "Channels between interpreters. The 'interpreters' module provides a more convenient interface.",
    .m_size = sizeof(ChannelsState),
    .m_methods = channels_methods,
    .m_slots = channels_slots,
    .m_traverse = channels_traverse,
    .m_clear = channels_clear,
    .m_free = channels_free,
};
PyMODINIT_FUNC PyInit__interpchannels(void) { return PyModuleDef_Init(&channels_definition); }
