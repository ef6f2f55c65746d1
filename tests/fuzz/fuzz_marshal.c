/* marshal.loads of any bytes; a code object that it yields is looked at in every way that does not run it, and written again. */
#include "fuzz.h"
#include <marshal.h>

static PyObject *look;

int LLVMFuzzerInitialize(int *Py_UNUSED(argc), char ***Py_UNUSED(argv))
{
    fuzz_start();
    PyObject *globals = PyDict_New();
    PyObject *done = PyRun_String(
        "import marshal, types\n"
        "def look(o, depth=0):\n"
        "    repr(o)\n"
        "    if isinstance(o, types.CodeType):\n"
        "        o.co_code, o.co_varnames, o.co_cellvars, o.co_freevars, hash(o), o == o\n"
        "        for _ in zip(range(1000), o.co_lines()): pass\n"
        "        for _ in zip(range(1000), o.co_positions()): pass\n"
        "        o.replace(co_name='x')\n"
        "        if depth < 5:\n"
        "            for c in o.co_consts: look(c, depth + 1)\n"
        "    marshal.dumps(o)\n", Py_file_input, globals, globals);
    if (!done) {
        PyErr_Print();
        abort();
    }
    Py_DECREF(done);
    look = Py_XNewRef(PyDict_GetItemString(globals, "look"));
    Py_DECREF(globals);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    PyObject *o = PyMarshal_ReadObjectFromString((const char *)data, (Py_ssize_t)size);
    PyObject *seen = o ? PyObject_CallOneArg(look, o) : NULL;
    Py_XDECREF(seen);
    Py_XDECREF(o);
    if (PyErr_Occurred()) {
        PyObject *kinds[] = { PyExc_EOFError, PyExc_ValueError, PyExc_TypeError, PyExc_OverflowError, PyExc_MemoryError, PyExc_RecursionError,
                              PyExc_SystemError };
        fuzz_expect(kinds, sizeof kinds / sizeof *kinds);
    }
    return 0;
}
