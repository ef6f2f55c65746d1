/* The _opcode module: what dis and opcode.py ask about instructions, out of eval/opcodes.h. */
#include "capi/args.h"
#include "eval/opcodes.h"

BUILTIN(opcode_module, stack_effect, KEYWORDS, "($module, opcode, oparg=None, /, *, jump=None)",
        "Compute the stack effect of the opcode. ValueError for an opcode or an argument that does not exist.")
{
    int opcode = PyLong_AsInt(arg[0]), oparg = 0, jump = -1;
    if (opcode == -1 && PyErr_Occurred()) return NULL;
    if (arg[1] && arg[1] != Py_None && (oparg = PyLong_AsInt(arg[1])) == -1 && PyErr_Occurred()) return NULL;
    if (!arg[2] || arg[2] == Py_None) jump = -1;
    else if (arg[2] == Py_True) jump = 1;
    else if (arg[2] == Py_False) jump = 0;
    else {
        PyErr_SetString(PyExc_ValueError, "stack_effect: jump must be False, True or None");
        return NULL;
    }
    int effect = STACK_EFFECT_INVALID;
    if (opcode_is_valid(opcode)) {
        if (jump >= 0) effect = opcode_stack_effect(opcode, oparg, jump);
        else {
            int with = opcode_stack_effect(opcode, oparg, 1), without = opcode_stack_effect(opcode, oparg, 0);
            effect = with > without ? with : without;
        }
    }
    if (effect != STACK_EFFECT_INVALID) return PyLong_FromLong(effect);
    PyErr_SetString(PyExc_ValueError, "invalid opcode or oparg");
    return NULL;
}

/* Specialised forms use their operand only where it still means what it means in the canonical form. */
static bool has_arg(int op)
{
    return opcode_has_arg(op) || (op >= CALL_ALLOC_AND_ENTER_INIT && op <= LOAD_SUPER_ATTR_METHOD) || op == SEND_GEN ||
           op == STORE_ATTR_WITH_HINT || (op >= UNPACK_SEQUENCE_LIST && op <= UNPACK_SEQUENCE_TWO_TUPLE);
}
static bool has_name(int op)
{
    return opcode_has_name(op) || op == LOAD_ATTR_GETATTRIBUTE_OVERRIDDEN || op == LOAD_ATTR_WITH_HINT ||
           op == LOAD_SUPER_ATTR_ATTR || op == LOAD_SUPER_ATTR_METHOD || op == STORE_ATTR_WITH_HINT;
}
static bool has_jump(int op) { return opcode_has_jump(op) || (op >= FOR_ITER_LIST && op <= FOR_ITER_TUPLE); }

#define QUESTION(name, answer, text)                                                                                    \
    BUILTIN(opcode_module, name, KEYWORDS, "($module, /, opcode)", text)                                                \
    {                                                                                                                   \
        int op = PyLong_AsInt(arg[0]);                                                                                  \
        if (op == -1 && PyErr_Occurred()) return NULL;                                                                  \
        return PyBool_FromLong(opcode_is_valid(op) && (answer));                                                        \
    }

QUESTION(is_valid, op != INSTRUMENTED_LINE, "Return True if opcode is valid, False otherwise.")
QUESTION(has_arg, has_arg(op), "Return True if the opcode uses its oparg, False otherwise.")
QUESTION(has_const, opcode_has_const(op), "Return True if the opcode accesses a constant, False otherwise.")
QUESTION(has_name, has_name(op), "Return True if the opcode accesses an attribute by name, False otherwise.")
QUESTION(has_jump, has_jump(op), "Return True if the opcode has a jump target, False otherwise.")
QUESTION(has_free, opcode_has_cell(op), "Return True if the opcode accesses a free variable, False otherwise.")
QUESTION(has_local, opcode_has_local(op) || op == BINARY_OP_INPLACE_ADD_UNICODE, "Return True if the opcode accesses a local variable, False otherwise.")
QUESTION(has_exc, opcode_is_block_push(op), "Return True if the opcode sets an exception handler, False otherwise.")

BUILTIN_NOARGS(opcode_module, get_specialization_stats, "($module, /)", "Return the specialization stats: None, they are not collected.")
{
    Py_RETURN_NONE;
}

static PyObject *string_list(const char *const *names, size_t n)
{
    PyObject *list = PyList_New((Py_ssize_t)n);
    for (size_t i = 0; list && i < n; i++) {
        PyObject *name = PyUnicode_FromString(names[i]);
        if (!name) Py_CLEAR(list);
        else PyList_SET_ITEM(list, (Py_ssize_t)i, name);
    }
    return list;
}

BUILTIN_NOARGS(opcode_module, get_intrinsic1_descs, "($module, /)", "Return a list of names of the unary intrinsics.")
{
    return string_list(opcode_intrinsic_1_names, INTRINSIC_1_COUNT);
}

BUILTIN_NOARGS(opcode_module, get_intrinsic2_descs, "($module, /)", "Return a list of names of the binary intrinsics.")
{
    return string_list(opcode_intrinsic_2_names, INTRINSIC_2_COUNT);
}

BUILTIN_NOARGS(opcode_module, get_nb_ops, "($module, /)", "Return array of symbols of binary ops, indexed by the BINARY_OP oparg value.")
{
    PyObject *list = PyList_New(0);
    for (size_t i = 0; list && i < ARRAY_LENGTH(opcode_nb_names); i++) {
        PyObject *pair = Py_BuildValue("(ss)", opcode_nb_names[i], opcode_nb_symbols[i]);
        if (!pair || PyList_Append(list, pair) < 0) Py_CLEAR(list);
        Py_XDECREF(pair);
    }
    return list;
}

BUILTIN(opcode_module, get_executor, KEYWORDS, "($module, /, code, offset)",
        "Return the executor object at offset in code: there is none, because there is no tier-2 optimizer.")
{
    if (!PyCode_Check(arg[0])) return PyErr_Format(PyExc_TypeError, "expected a code object, not '%.100s'", Py_TYPE(arg[0])->tp_name);
    return PyErr_Format(PyExc_RuntimeError, "Executors are not available in this build");
}

static PyMethodDef opcode_methods[] = {
    METHOD(opcode_module, stack_effect), METHOD(opcode_module, is_valid), METHOD(opcode_module, has_arg), METHOD(opcode_module, has_const),
    METHOD(opcode_module, has_name), METHOD(opcode_module, has_jump), METHOD(opcode_module, has_free), METHOD(opcode_module, has_local),
    METHOD(opcode_module, has_exc), METHOD(opcode_module, get_specialization_stats), METHOD(opcode_module, get_nb_ops),
    METHOD(opcode_module, get_intrinsic1_descs), METHOD(opcode_module, get_intrinsic2_descs), METHOD(opcode_module, get_executor),
    { 0 }
};

static int opcode_exec(PyObject *module) { return PyModule_AddIntConstant(module, "ENABLE_SPECIALIZATION", 1); }

static PyModuleDef_Slot opcode_slots[] = {
    { Py_mod_exec, opcode_exec }, { Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED }, { 0 }
};

static struct PyModuleDef opcode_definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_opcode",
    .m_doc = "Opcode support module.",
    .m_methods = opcode_methods,
    .m_slots = opcode_slots,
};

PyMODINIT_FUNC PyInit__opcode(void) { return PyModuleDef_Init(&opcode_definition); }
