/* _sysconfig: what of the build sysconfig.get_config_vars() shows. */
#include "taipan.h"
#include "capi/args.h"

BUILTIN_NOARGS(sysconfig, config_vars, "($module, /)",
               "Returns a dictionary containing build variables intended to be exposed by sysconfig.")
{
    return Py_BuildValue("{si}", "Py_GIL_DISABLED", 0);
}

static PyMethodDef sysconfig_methods[] = { METHOD(sysconfig, config_vars), {0} };
static PyModuleDef_Slot sysconfig_slots[] = { {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED}, {0, NULL} };

static PyModuleDef sysconfig_module = {
    PyModuleDef_HEAD_INIT, .m_name = "_sysconfig", .m_doc = "A helper for the sysconfig module.", .m_methods = sysconfig_methods,
    .m_slots = sysconfig_slots,
};

PyMODINIT_FUNC PyInit__sysconfig(void) { return PyModuleDef_Init(&sysconfig_module); }
