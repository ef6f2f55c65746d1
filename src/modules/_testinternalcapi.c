/* The _testinternalcapi module: what CPython's own language tests ask an interpreter about its inside. It grows with need; what it
 * lacks is an AttributeError, as in a CPython that was built without it. */
#include "capi/args.h"

#include "compile/compile.h"
#include "eval/eval.h"
#include "memory/alloc.h"
#include "memory/tracing.h"
#include "objects/instance.h"
#include "runtime/state.h"

#include <frameobject.h>

BUILTIN_NOARGS(internal, get_recursion_depth, "($module, /)", "")
{
    PyThreadState *ts = PyThreadState_Get();
    return PyLong_FromLong(ts->py_recursion_limit - ts->py_recursion_remaining);
}

BUILTIN_NOARGS(internal, get_c_recursion_remaining, "($module, /)", "") { return PyLong_FromLong(PyThreadState_Get()->c_recursion_remaining); }

BUILTIN_O(internal, has_inline_values, "($module, obj, /)", "Are the object's attributes stored in the object itself?")
{
    return PyBool_FromLong((Py_TYPE(arg)->tp_flags & Py_TPFLAGS_INLINE_VALUES) && instance_shape(arg) != NULL);
}

BUILTIN_O(internal, get_object_dict_values, "($module, obj, /)", "The attributes stored in the object itself, or None.")
{
    Shape *shape = (Py_TYPE(arg)->tp_flags & Py_TPFLAGS_INLINE_VALUES) ? instance_shape(arg) : NULL;
    if (!shape) Py_RETURN_NONE;
    PyObject *tuple = PyTuple_New(shape->count);
    for (Py_ssize_t i = 0; tuple && i < shape->count; i++) PyTuple_SET_ITEM(tuple, i, Py_NewRef(instance_value(arg, i)));
    return tuple;
}

BUILTIN_O(internal, get_co_framesize, "($module, code, /)", "Words that a frame of the code takes.")
{
    if (!PyCode_Check(arg)) return PyErr_Format(PyExc_TypeError, "argument must be a code object");
    return PyLong_FromLong(((PyCodeObject *)arg)->co_framesize);
}

BUILTIN(internal, _PyTraceMalloc_GetTraceback, POSITIONAL, "($module, domain, obj, /)", "The frames that a block was tracked with, or None.")
{
    unsigned long domain = PyLong_AsUnsignedLongMask(arg[0]);
    if (domain == (unsigned long)-1 && PyErr_Occurred()) return NULL;
    void *p = PyLong_AsVoidPtr(arg[1]);
    if (!p && PyErr_Occurred()) return NULL;
    return _PyTraceMalloc_GetTraceback((unsigned)domain, (uintptr_t)p);
}

BUILTIN(internal, call_without_memory, POSITIONAL, "($module, function, first, last, /)",
        "Call function() while allocations number first to last (-1: all later ones) fail.\n\n"
        "Returns (result or None, exception or None, number of allocations, number of those that failed, C stack of the last failure).")
{
    long first = PyLong_AsLong(arg[1]), last = PyLong_AsLong(arg[2]), count, failed;
    if (PyErr_Occurred()) return NULL;
    if (!memory_faults_start(first, last)) return PyErr_NoMemory();
    PyObject *result = PyObject_CallNoArgs(arg[0]), *raised = PyErr_GetRaisedException();
    memory_faults_stop(&count, &failed);
    if (!result == !raised) PyErr_Format(PyExc_SystemError, result ? "result with an exception" : "NULL without an exception");
    PyObject *stack = PyErr_Occurred() ? NULL : memory_faults_stack();
    PyObject *all = stack ? Py_BuildValue("OOllN", result ? result : Py_None, raised ? raised : Py_None, count, failed, stack) : NULL;
    Py_XDECREF(result);
    Py_XDECREF(raised);
    return all;
}

/* ---- configuration ---------------------------------------------------------------------------------------------------------- */

static PyObject *wide_list(const PyWideStringList *list)
{
    PyObject *o = PyList_New(list->length);
    for (Py_ssize_t i = 0; o && i < list->length; i++) {
        PyObject *item = PyUnicode_FromWideChar(list->items[i], -1);
        if (!item) Py_CLEAR(o);
        else PyList_SET_ITEM(o, i, item);
    }
    return o;
}

static int add_stolen(PyObject *dict, const char *name, PyObject *value)
{
    int status = value ? PyDict_SetItemString(dict, name, value) : -1;
    Py_XDECREF(value);
    return status;
}

BUILTIN_NOARGS(internal, get_config, "($module, /)", "The interpreter's PyConfig as a dict.")
{
    const PyConfig *config = interp_config(PyInterpreterState_Get());
    PyObject *dict = PyDict_New();
    if (!dict) return NULL;
#define INT(name, ...) if (add_stolen(dict, #name, PyLong_FromLong((long)config->name)) < 0) goto fail;
#define ULONG(name, ...) if (add_stolen(dict, #name, PyLong_FromUnsignedLong((unsigned long)config->name)) < 0) goto fail;
#define STRING(name, ...) if (add_stolen(dict, #name, config->name ? PyUnicode_FromWideChar(config->name, -1) : Py_NewRef(Py_None)) < 0) goto fail;
#define LIST(name, ...) if (add_stolen(dict, #name, wide_list(&config->name)) < 0) goto fail;
#include "runtime/config_fields.def"
    return dict;
fail:
    Py_DECREF(dict);
    return NULL;
}

/* ---- the stages of the compiler ------------------------------------------------------------------------------------------------ */

BUILTIN(internal, compiler_cleandoc, KEYWORDS, "($module, /, doc)", "A docstring as the compiler strips it.")
{
    if (!PyUnicode_Check(arg[0])) return PyErr_Format(PyExc_TypeError, "compiler_cleandoc() argument 'doc' must be str, not %T", arg[0]);
    return compile_clean_doc(arg[0]);
}

BUILTIN_NOARGS(internal, new_instruction_sequence, "($module, /)", "A new, empty InstructionSequence.")
{
    return compile_seam_sequence();
}

BUILTIN(internal, compiler_codegen, KEYWORDS, "($module, /, ast, filename, optimize, compile_mode=0)",
        "Apply code generation to an AST: instruction sequence and metadata.")
{
    int optimize = PyLong_AsInt(arg[2]), mode = 0;
    if (optimize == -1 && PyErr_Occurred()) return NULL;
    if (arg[3] && (mode = PyLong_AsInt(arg[3])) == -1 && PyErr_Occurred()) return NULL;
    return compile_seam_codegen(arg[0], arg[1], optimize, mode);
}

BUILTIN(internal, optimize_cfg, KEYWORDS, "($module, /, instructions, consts, nlocals)", "Apply the optimizations of the flow graph.")
{
    int nlocals = PyLong_AsInt(arg[2]);
    if (nlocals == -1 && PyErr_Occurred()) return NULL;
    if (nlocals < 0) return PyErr_Format(PyExc_ValueError, "nlocals must not be negative");
    return compile_seam_optimize(arg[0], arg[1], nlocals);
}

BUILTIN(internal, assemble_code_object, KEYWORDS, "($module, /, filename, instructions, metadata)",
        "Create a code object for the given instructions.")
{
    return compile_seam_assemble(arg[0], arg[1], arg[2]);
}

/* ---- frames and the rest ------------------------------------------------------------------------------------------------------- */

BUILTIN_NOARGS(internal, get_immortalize_deferred, "($module, /)", "") { Py_RETURN_FALSE; }
BUILTIN_O(internal, suppress_immortalization, "($module, suppress, /)", "") { Py_RETURN_NONE; }
BUILTIN_NOARGS(internal, py_thread_id, "($module, /)", "") { return PyLong_FromUnsignedLong((unsigned long)(uintptr_t)PyThreadState_Get()); }

BUILTIN(internal, dict_getitem_knownhash, POSITIONAL, "($module, mp, key, hash, /)", "mp[key], the key's hash being known.")
{
    Py_hash_t hash = PyLong_AsSsize_t(arg[2]);
    if (hash == -1 && PyErr_Occurred()) return NULL;
    PyObject *value = _PyDict_GetItem_KnownHash(arg[0], arg[1], hash);     /* borrowed */
    if (!value && !PyErr_Occurred()) errors_set_key_error(arg[1]);
    return Py_XNewRef(value);
}

/* ---- allocators ------------------------------------------------------------------------------------------------------------------ */

BUILTIN_NOARGS(internal, pymem_getallocatorsname, "($module, /)", "The name that PYTHONMALLOC has for the present allocators.")
{
    const char *name = memory_allocators_name();
    if (!name) return PyErr_Format(PyExc_RuntimeError, "cannot get allocators name");
    return PyUnicode_FromString(name);
}

static PyObject *require_freed(const PyObject *o)
{
    if (!memory_is_freed_pointer(o) && !memory_is_freed_pointer(o->ob_type))
        return PyErr_Format(PyExc_AssertionError, "object is not seen as freed");
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(internal, check_pyobject_null_is_freed, "($module, /)", "") { return require_freed(NULL); }

/* These objects are never given back: the test's process ends at once. */
BUILTIN_NOARGS(internal, check_pyobject_uninitialized_is_freed, "($module, /)", "")
{
    PyObject *o = PyObject_Malloc(sizeof *o);
    return o ? require_freed(o) : NULL;
}

BUILTIN_NOARGS(internal, check_pyobject_forbidden_bytes_is_freed, "($module, /)", "The type would be what lies behind the block.")
{
    PyObject *o = PyObject_Malloc(offsetof(PyObject, ob_type));
    return o ? require_freed(o) : NULL;
}

BUILTIN_NOARGS(internal, check_pyobject_freed_is_freed, "($module, /)", "")
{
    PyObject *o = PyObject_CallNoArgs((PyObject *)&PyBaseObject_Type);
    if (!o) return NULL;
    Py_TYPE(o)->tp_dealloc(o);
#ifdef HEAP_CHECKED
    Py_RETURN_NONE;                          /* AddressSanitizer would end us for the look */
#else
    return require_freed(o);
#endif
}

static PyMethodDef internal_methods[] = {
    METHOD(internal, check_pyobject_null_is_freed), METHOD(internal, check_pyobject_uninitialized_is_freed),
    METHOD(internal, check_pyobject_forbidden_bytes_is_freed), METHOD(internal, check_pyobject_freed_is_freed),
    METHOD(internal, dict_getitem_knownhash),
    METHOD(internal, get_recursion_depth), METHOD(internal, get_c_recursion_remaining), METHOD(internal, has_inline_values),
    METHOD(internal, get_object_dict_values), METHOD(internal, get_co_framesize), METHOD(internal, get_config),
    METHOD(internal, _PyTraceMalloc_GetTraceback), METHOD(internal, call_without_memory), METHOD(internal, compiler_cleandoc),
    METHOD(internal, get_immortalize_deferred), METHOD(internal, suppress_immortalization), METHOD(internal, pymem_getallocatorsname),
    METHOD(internal, py_thread_id), METHOD(internal, new_instruction_sequence), METHOD(internal, compiler_codegen),
    METHOD(internal, optimize_cfg), METHOD(internal, assemble_code_object),
    { 0 }
};

extern PyMethodDef testinternal_runtime_methods[];
int testinternal_hamt_init(PyObject *module);

static int internal_exec(PyObject *module)
{
    if (PyModule_AddFunctions(module, testinternal_runtime_methods) < 0 || testinternal_hamt_init(module) < 0) return -1;
    if (PyModule_AddIntConstant(module, "SIZEOF_PYGC_HEAD", 0) < 0) return -1;
    if (PyModule_AddIntConstant(module, "SIZEOF_MANAGED_PRE_HEADER", sizeof(void *)) < 0) return -1;
    if (PyModule_AddIntConstant(module, "SIZEOF_TIME_T", sizeof(time_t)) < 0) return -1;
    return PyModule_AddIntConstant(module, "SIZEOF_PYOBJECT", sizeof(PyObject));
}

static PyModuleDef_Slot internal_slots[] = {
    { Py_mod_exec, internal_exec }, { Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED }, { 0 }
};
static struct PyModuleDef internal_definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_testinternalcapi",
    .m_doc = "What CPython's own language tests ask about the inside of the interpreter.",
    .m_methods = internal_methods,
    .m_slots = internal_slots,
};
PyMODINIT_FUNC PyInit__testinternalcapi(void) { return PyModuleDef_Init(&internal_definition); }
