/* The marshal module: Python's view of compile/marshal_*.c. */
#include "capi/args.h"
#include "compile/marshal_private.h"

#include <marshal.h>

static int version_argument(PyObject *value, int *version)
{
    *version = Py_MARSHAL_VERSION;
    if (!value) return 0;
    *version = PyLong_AsInt(value);
    return *version == -1 && PyErr_Occurred() ? -1 : 0;
}

BUILTIN(marshal_module, dump, KEYWORDS, "($module, value, file, version=version, /, *, allow_code=True)",
        "Write the value on the open file: a writeable binary file. ValueError for a value (or a part of it) of an unsupported type.")
{
    int version, allow_code = arg[3] ? PyObject_IsTrue(arg[3]) : 1;
    if (allow_code < 0 || version_argument(arg[2], &version) < 0) return NULL;
    if (PySys_Audit("marshal.dumps", "Oi", arg[0], version) < 0) return NULL;
    PyObject *bytes = marshal_dump(arg[0], version, allow_code), *result = NULL;
    if (!bytes) return NULL;
    PyObject *name = PyUnicode_InternFromString("write");
    if (name) result = PyObject_CallMethodOneArg(arg[1], name, bytes);
    Py_XDECREF(name);
    Py_DECREF(bytes);
    return result;
}

BUILTIN(marshal_module, dumps, KEYWORDS, "($module, value, version=version, /, *, allow_code=True)",
        "Return the bytes object that would be written to a file by dump(value, file).")
{
    int version, allow_code = arg[2] ? PyObject_IsTrue(arg[2]) : 1;
    if (allow_code < 0 || version_argument(arg[1], &version) < 0) return NULL;
    if (PySys_Audit("marshal.dumps", "Oi", arg[0], version) < 0) return NULL;
    return marshal_dump(arg[0], version, allow_code);
}

BUILTIN(marshal_module, load, KEYWORDS, "($module, file, /, *, allow_code=True)",
        "Read one value from the open binary file and return it. EOFError, ValueError or TypeError for data that is none.")
{
    int allow_code = arg[1] ? PyObject_IsTrue(arg[1]) : 1;
    if (allow_code < 0 || PySys_Audit("marshal.load", NULL) < 0) return NULL;
    /* read() must give bytes: this tells a text file at once */
    PyObject *probe = PyObject_CallMethod(arg[0], "read", "i", 0);
    if (!probe) return NULL;
    if (!PyBytes_Check(probe)) {
        PyErr_Format(PyExc_TypeError, "file.read() returned not bytes but %.100s", Py_TYPE(probe)->tp_name);
        Py_DECREF(probe);
        return NULL;
    }
    Py_DECREF(probe);
    return marshal_load_file(arg[0], allow_code);
}

BUILTIN(marshal_module, loads, KEYWORDS, "($module, bytes, /, *, allow_code=True)",
        "Convert the bytes-like object to a value. Extra bytes in the input are ignored.")
{
    Py_buffer view;
    int allow_code = arg[1] ? PyObject_IsTrue(arg[1]) : 1;
    if (allow_code < 0 || PyObject_GetBuffer(arg[0], &view, PyBUF_SIMPLE) < 0) return NULL;
    PyObject *o = NULL;
    if (PySys_Audit("marshal.loads", "y#", view.buf, view.len) >= 0) o = marshal_load(view.buf, view.len, allow_code, NULL);
    PyBuffer_Release(&view);
    return o;
}

static PyMethodDef marshal_methods[] = { METHOD(marshal_module, dump), METHOD(marshal_module, dumps), METHOD(marshal_module, load), METHOD(marshal_module, loads), { 0 } };

static int marshal_exec(PyObject *module) { return PyModule_AddIntConstant(module, "version", Py_MARSHAL_VERSION); }

static PyModuleDef_Slot marshal_slots[] = {
    { Py_mod_exec, marshal_exec }, { Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED }, { 0 }
};

static struct PyModuleDef marshal_definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "marshal",
    .m_doc = "Python values in a binary format that is specific to Python, but independent of machine architecture.",
    .m_methods = marshal_methods,
    .m_slots = marshal_slots,
};

PyMODINIT_FUNC PyInit_marshal(void) { return PyModuleDef_Init(&marshal_definition); }
