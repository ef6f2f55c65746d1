/* _uuid: version 1 UUIDs from libuuid, which asks its daemon for unique clock values when one runs. */
#include "capi/args.h"
#include "modules/support.h"

#include <uuid/uuid.h>

BUILTIN_NOARGS(time_based, generate_time_safe, "($self, /)", "The bytes of a UUID by time, and 0 when they are sure to be unique, else -1.")
{
    uuid_t out;
    int status;
    Py_BEGIN_ALLOW_THREADS
    status = uuid_generate_time_safe(out);
    Py_END_ALLOW_THREADS
    return Py_BuildValue("y#i", (const char *)out, (Py_ssize_t)sizeof out, status);
}

static int uuid_exec(PyObject *module) { return PyModule_AddIntConstant(module, "has_uuid_generate_time_safe", 1); }

static PyMethodDef uuid_methods[] = { METHOD(time_based, generate_time_safe), {0} };
static PyModuleDef_Slot uuid_slots[] = { SLOT(mod_exec, uuid_exec), MODULE_SLOTS_COMMON, {0} };
static struct PyModuleDef uuid_module = { PyModuleDef_HEAD_INIT, .m_name = "_uuid", .m_methods = uuid_methods, .m_slots = uuid_slots };

PyMODINIT_FUNC PyInit__uuid(void) { return PyModuleDef_Init(&uuid_module); }
