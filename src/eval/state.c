/* What eval/ keeps in an interpreter: made with the builtins module, dropped at the end. */
#include "eval/eval_private.h"
#include "objects/type.h"

/* Below an inlined __init__: hands out the object, which it has as its only stack entry, when __init__ returned None. */
static PyObject *make_init_cleanup(void)
{
    static const uint8_t instructions[] = {NOP, 0, EXIT_INIT_CHECK, 0, RETURN_VALUE, 0, RESUME, 0};
    static const uint8_t lines[] = {128 | PY_CODE_LOCATION_INFO_NO_COLUMNS << 3 | 3, 0};
    PyObject *code = PyBytes_FromStringAndSize((const char *)instructions, sizeof instructions);
    PyObject *table = PyBytes_FromStringAndSize((const char *)lines, sizeof lines), *co = NULL;
    PyObject *name = PyUnicode_FromString("__init__"), *file = PyUnicode_FromString("__init__");
    if (code && table && name && file) {
        CodeParts p = {file, name, name, CO_OPTIMIZED | CO_NO_MONITORING_EVENTS, code, 1, table, EMPTY_TUPLE, EMPTY_TUPLE, EMPTY_TUPLE,
                       EMPTY_BYTES, 0, 0, 0, 2, EMPTY_BYTES};
        co = code_new(&p);
    }
    Py_XDECREF(code);
    Py_XDECREF(table);
    Py_XDECREF(name);
    Py_XDECREF(file);
    return co;
}

int eval_init(PyThreadState *ts)
{
    EvalState *s = &ts->interp->eval;
    if (!s->init_cleanup && !(s->init_cleanup = make_init_cleanup())) return -1;
    if (!s->list_append) {
        s->list_append = PyDict_GetItemString(PyList_Type.tp_dict ? PyList_Type.tp_dict : type_dict(&PyList_Type), "append");
        Py_XINCREF(s->list_append);
    }
    if (!s->next_code_version) s->next_code_version = 1;
    return 0;
}

void eval_fini(PyInterpreterState *interp)
{
    EvalState *s = &interp->eval;
    Py_CLEAR(s->import_function);
    Py_CLEAR(s->list_append);
    Py_CLEAR(s->builtin_len);
    Py_CLEAR(s->builtin_isinstance);
    for (int tool = 0; tool < MONITORING_TOOLS; tool++) {
        Py_CLEAR(s->monitoring_tool_names[tool]);
        for (int event = 0; event < MONITORING_EVENTS; event++) Py_CLEAR(s->monitoring_callables[tool][event]);
    }
    Py_CLEAR(s->monitoring_missing);
    Py_CLEAR(s->monitoring_disable);
}

void eval_fini_last(PyInterpreterState *interp) { Py_CLEAR(interp->eval.init_cleanup); }
