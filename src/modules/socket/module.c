/* The _socket module: types, exceptions, constants. The functions are in names.c, the socket type in socket.c. */
#include "socket_private.h"

#include "socket_capi.h"

static const struct { const char *name; long long value; } constants[] = {
#define V(name, value) { #name, value },
#include "constants.def"
};

static int socket_add_constants(PyObject *module)
{
    for (size_t i = 0; i < ARRAY_LENGTH(constants); i++)
        if (PyModule_Add(module, constants[i].name, PyLong_FromLongLong(constants[i].value)) < 0) return -1;
    return 0;
}

static int capi_descriptor(PyObject *socket) { return SOCKET(socket)->fd; }
static int64_t capi_timeout(PyObject *socket) { return SOCKET(socket)->timeout; }

static void capi_free(PyObject *capsule)
{
    SocketCapi *table = PyCapsule_GetPointer(capsule, "_socket.CAPI");
    if (table) Py_XDECREF(table->Sock_Type);
    PyMem_Free(table);
}

/* The collector must see the way from the module's dict to the type. */
PyAPI_FUNC(int) _PyCapsule_SetTraverse(PyObject *o, traverseproc traverse, inquiry clear);

static int capi_traverse(PyObject *capsule, visitproc visit, void *arg)
{
    SocketCapi *table = PyCapsule_GetPointer(capsule, "_socket.CAPI");
    Py_VISIT(table->Sock_Type);
    return 0;
}

static int capi_clear(PyObject *capsule)
{
    SocketCapi *table = PyCapsule_GetPointer(capsule, "_socket.CAPI");
    Py_CLEAR(table->Sock_Type);
    return 0;
}

static PyObject *capi_new(PyTypeObject *socket_type)
{
    SocketCapi *table = PyMem_Malloc(sizeof *table);
    if (!table) return PyErr_NoMemory();
    *table = (SocketCapi){ (PyTypeObject *)Py_NewRef(socket_type), PyExc_OSError, PyExc_TimeoutError, capi_descriptor, capi_timeout };
    PyObject *capsule = PyCapsule_New(table, "_socket.CAPI", capi_free);
    if (!capsule) {
        Py_DECREF(socket_type);
        PyMem_Free(table);
    }
    else if (_PyCapsule_SetTraverse(capsule, capi_traverse, capi_clear) < 0) Py_CLEAR(capsule);
    return capsule;
}

static int socket_exec(PyObject *module)
{
    SocketState *state = socket_state(module);
    state->default_timeout = -1;
    if (PyModule_AddObjectRef(module, "error", PyExc_OSError) < 0 || PyModule_AddObjectRef(module, "timeout", PyExc_TimeoutError) < 0) return -1;
    if (!(state->herror = PyErr_NewException("socket.herror", PyExc_OSError, NULL))) return -1;
    if (!(state->gaierror = PyErr_NewException("socket.gaierror", PyExc_OSError, NULL))) return -1;
    if (PyModule_AddObjectRef(module, "herror", state->herror) < 0 || PyModule_AddObjectRef(module, "gaierror", state->gaierror) < 0) return -1;
    if (!(state->socket = (PyTypeObject *)PyType_FromModuleAndSpec(module, &socket_spec, NULL))) return -1;
    if (PyModule_AddObjectRef(module, "SocketType", (PyObject *)state->socket) < 0 || PyModule_AddType(module, state->socket) < 0) return -1;
    if (PyModule_AddObjectRef(module, "has_ipv6", Py_True) < 0 || PyModule_AddFunctions(module, socket_name_methods) < 0) return -1;
    if (PyModule_Add(module, "CAPI", capi_new(state->socket)) < 0) return -1;
    return socket_add_constants(module);
}

static int socket_module_traverse(PyObject *module, visitproc visit, void *arg)
{
    SocketState *state = socket_state(module);
    Py_VISIT(state->socket);
    Py_VISIT(state->herror);
    Py_VISIT(state->gaierror);
    return 0;
}

static int socket_module_clear(PyObject *module)
{
    SocketState *state = socket_state(module);
    Py_CLEAR(state->socket);
    Py_CLEAR(state->herror);
    Py_CLEAR(state->gaierror);
    return 0;
}

static void socket_module_free(void *module) { socket_module_clear(module); }

static PyModuleDef_Slot socket_module_slots[] = {
    { Py_mod_exec, socket_exec }, { Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED }, { 0 }
};

struct PyModuleDef socket_definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_socket",
    .m_doc = "Socket operations: the implementation of the socket module.",
    .m_size = sizeof(SocketState),
    .m_slots = socket_module_slots,
    .m_traverse = socket_module_traverse,
    .m_clear = socket_module_clear,
    .m_free = socket_module_free,
};

PyMODINIT_FUNC PyInit__socket(void) { return PyModuleDef_Init(&socket_definition); }
