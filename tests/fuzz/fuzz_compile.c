/* Tokenizer, parser, tree checks, symbol tables, compiler, assembler, marshal. Input: one byte of options, then the source. */
#include "fuzz.h"
#include <marshal.h>

static PyObject *compile_function;

int LLVMFuzzerInitialize(int *Py_UNUSED(argc), char ***Py_UNUSED(argv))
{
    fuzz_start();
    PyObject *builtins = PyImport_ImportModule("builtins");
    compile_function = PyObject_GetAttrString(builtins, "compile");
    Py_DECREF(builtins);
    return 0;
}

/* As version 2 writes them, without references: code with a NaN in it does not equal its copy. */
static void expect_same(PyObject *a, PyObject *b)
{
    PyObject *x = PyMarshal_WriteObjectToString(a, 2), *y = PyMarshal_WriteObjectToString(b, 2);
    if (x && y && PyObject_RichCompareBool(x, y, Py_EQ) != 1) abort();
    Py_XDECREF(x);
    Py_XDECREF(y);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const modes[] = { "exec", "eval", "single", "func_type" };
    static const int flags[] = { 0, PyCF_ONLY_AST, PyCF_TYPE_COMMENTS | PyCF_ONLY_AST, PyCF_ALLOW_TOP_LEVEL_AWAIT,
                                 PyCF_OPTIMIZED_AST, PyCF_DONT_IMPLY_DEDENT, PyCF_DONT_IMPLY_DEDENT | PyCF_ALLOW_INCOMPLETE_INPUT, 0x100000 };
    if (size < 1) return 0;
    unsigned options = data[0];
    int mode = options & 3, flag = flags[options >> 2 & 7], optimize = (options >> 5) % 3;
    if (mode == 3) flag |= PyCF_ONLY_AST;
    PyObject *source = PyBytes_FromStringAndSize((const char *)data + 1, (Py_ssize_t)size - 1);
    PyObject *code = PyObject_CallFunction(compile_function, "Ossiii", source, "<fuzz>", modes[mode], flag, 1, optimize);
    Py_DECREF(source);
    if (code && !PyCode_Check(code)) {                           /* a tree: compile it too */
        Py_SETREF(code, mode == 3 ? NULL : PyObject_CallFunction(compile_function, "Ossiii", code, "<fuzz>", modes[mode], 0, 1, optimize));
    }
    if (code) {
        PyObject *bytes = PyMarshal_WriteObjectToString(code, Py_MARSHAL_VERSION);
        PyObject *again = bytes ? PyMarshal_ReadObjectFromString(PyBytes_AS_STRING(bytes), PyBytes_GET_SIZE(bytes)) : NULL;
        if (again) expect_same(code, again);
        Py_XDECREF(bytes);
        Py_XDECREF(again);
        Py_DECREF(code);
    }
    if (PyErr_Occurred()) {
        PyObject *kinds[] = { PyExc_SyntaxError, PyExc_ValueError, PyExc_OverflowError, PyExc_MemoryError, PyExc_RecursionError };
        fuzz_expect(kinds, sizeof kinds / sizeof *kinds);
    }
    return 0;
}
