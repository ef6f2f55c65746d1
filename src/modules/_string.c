/* _string: what string.Formatter needs of str.format's parser. */
#include "capi/args.h"
#include "objects/format.h"

BUILTIN_O(string, formatter_parser, "($module, format, /)", "Iterates over (literal text, field name, spec, conversion) of a format string.")
{
    return format_parser_iter(arg);
}

BUILTIN_O(string, formatter_field_name_split, "($module, field_name, /)", "(first part, iterator over (is attribute, name)) of a field name.")
{
    return format_field_name_split(arg);
}

static PyMethodDef string_methods[] = { METHOD(string, formatter_parser), METHOD(string, formatter_field_name_split), { 0 } };

static PyModuleDef_Slot string_slots[] = {
    { Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED }, { Py_mod_gil, Py_MOD_GIL_NOT_USED }, { 0, NULL },
};

static PyModuleDef string_module = {
    PyModuleDef_HEAD_INIT, .m_name = "_string", .m_doc = "string helper module", .m_methods = string_methods, .m_slots = string_slots,
};

PyMODINIT_FUNC PyInit__string(void) { return PyModuleDef_Init(&string_module); }
