/* Choosing specialised forms of instructions (PEP 659). Each function either writes one over the instruction, or makes its counter
 * wait longer before the next attempt. `at` is the instruction, at[1] the counter, and the data of the form follow as the bodies
 * (bodies_*.h) read them: their pc[k] is at[1 + k] here. */
#include "eval/eval_private.h"
#include "objects/instance.h"
#include "objects/dict.h"
#include "objects/function.h"
#include "objects/long.h"

enum { COUNTER_COOLDOWN = 52 << 4, BACKOFF_MAX = 12 };

/* Doubles the wait: 2^backoff - 1 executions. */
static void back_off(CodeUnit *at)
{
    unsigned backoff = at[1].cache & 15;
    if (backoff < BACKOFF_MAX) backoff++;
    at[1].cache = (uint16_t)(((1u << backoff) - 1) << 4 | backoff);
    at->op.code = opcode_deopt[at->op.code];
}

static void specialize_to(CodeUnit *at, int opcode)
{
    at->op.code = (uint8_t)opcode;
    at[1].cache = COUNTER_COOLDOWN;
}

static uint32_t version_of(PyTypeObject *type) { return type->tp_version_tag ? type->tp_version_tag : type_assign_version(type); }

static bool fits_16(Py_ssize_t n) { return n >= 0 && n <= UINT16_MAX; }

/* ---- attributes --------------------------------------------------------------------------------------------------------------- */

/* Finds attributes as object does: nothing overrides __getattribute__. */
static bool has_plain_getattr(PyTypeObject *type)
{
    if (type->tp_getattro == PyObject_GenericGetAttr) return true;
    return type->tp_getattro == slot_tp_getattr_hook &&
           type_lookup(type, STR(__getattribute__)) == type_lookup(&PyBaseObject_Type, STR(__getattribute__));
}

static bool load_module_attr(PyObject *module, CodeUnit *at, PyObject *name)
{
    PyDictObject *dict = (PyDictObject *)PyModule_GetDict(module);
    if (!dict || !PyDict_CheckExact(dict)) return false;
    Py_ssize_t index = dict_lookup_index_str(dict, name);
    uint32_t version = fits_16(index) ? dict_keys_version(dict) : 0;
    if (!version) return false;
    cache_set_u32(at + 2, version);
    at[4].cache = (uint16_t)index;
    specialize_to(at, LOAD_ATTR_MODULE);
    return true;
}

static bool load_class_attr(PyTypeObject *cls, CodeUnit *at, PyObject *name)
{
    PyTypeObject *meta = Py_TYPE(cls);
    if (meta->tp_getattro != PyType_Type.tp_getattro || type_lookup(meta, name)) return false;
    PyObject *value = type_lookup(cls, name);
    if (!value) return false;
    if (Py_TYPE(value)->tp_descr_get && !PyFunction_Check(value) && !Py_IS_TYPE(value, &PyMethodDescr_Type)) return false;
    if (meta != &PyType_Type && !version_of(meta)) return false;   /* with a version its changes are noticed */
    uint32_t version = version_of(cls);
    if (!version) return false;
    cache_set_u32(at + 2, version);
    cache_set_u64(at + 6, (uint64_t)(uintptr_t)value);
    specialize_to(at, LOAD_ATTR_CLASS);
    return true;
}

static bool is_simple_python(PyObject *o, int nargs)
{
    if (!o || !Py_IS_TYPE(o, &PyFunction_Type) || ((PyFunctionObject *)o)->vectorcall != function_vectorcall) return false;
    PyCodeObject *co = (PyCodeObject *)((PyFunctionObject *)o)->func_code;
    return co->co_argcount == nargs && !co->co_kwonlyargcount && (co->co_flags & (CO_VARARGS | CO_VARKEYWORDS | CO_OPTIMIZED)) == CO_OPTIMIZED;
}

static bool load_data_descriptor(PyObject *owner, PyObject *descr, CodeUnit *at)
{
    bool method = at->op.arg & 1;
    if (Py_IS_TYPE(descr, &PyMemberDescr_Type)) {
        PyMemberDef *m = ((PyMemberDescrObject *)descr)->d_member;
        if (m->type != Py_T_OBJECT_EX || m->flags & (Py_AUDIT_READ | Py_RELATIVE_OFFSET) || !fits_16(m->offset)) return false;
        if (!PyObject_TypeCheck(owner, PyDescr_TYPE(descr))) return false;
        at[4].cache = (uint16_t)m->offset;
        specialize_to(at, LOAD_ATTR_SLOT);
        return true;
    }
    if (Py_IS_TYPE(descr, &PyGetSetDescr_Type) && PyDescr_NAME(descr) == STR(__class__) && PyDescr_TYPE(descr) == &PyBaseObject_Type) {
        at[4].cache = offsetof(PyObject, ob_type);
        specialize_to(at, LOAD_ATTR_SLOT);
        return true;
    }
    if (Py_IS_TYPE(descr, &PyProperty_Type) && !method) {
        PyObject *getter = property_getter_to_cache(descr);
        uint32_t version = is_simple_python(getter, 1) ? function_version((PyFunctionObject *)getter) : 0;
        if (!version) return false;
        cache_set_u32(at + 4, version);
        cache_set_u64(at + 6, (uint64_t)(uintptr_t)getter);
        specialize_to(at, LOAD_ATTR_PROPERTY);
        return true;
    }
    return false;
}

/* An attribute that the instance itself has. */
static bool load_own_attr(PyObject *owner, CodeUnit *at, PyObject *name)
{
    if (!(Py_TYPE(owner)->tp_flags & Py_TPFLAGS_MANAGED_DICT)) return false;
    Shape *shape = instance_shape(owner);
    if (shape) {
        Py_ssize_t index = shape_index(shape, name);
        if (index < 0) return false;
        at[4].cache = (uint16_t)index;
        at[5].cache = shape->number;
        specialize_to(at, LOAD_ATTR_INSTANCE_VALUE);
        return true;
    }
    PyDictObject *dict = (PyDictObject *)instance_dict_if_any(owner);
    if (!dict || !PyDict_CheckExact(dict)) return false;
    Py_ssize_t index = dict_lookup_index_str(dict, name);
    if (!fits_16(index) || keys_entry(dict_table(dict), index)[0] != name) return false;
    at[4].cache = (uint16_t)index;
    specialize_to(at, LOAD_ATTR_WITH_HINT);
    return true;
}

/* A method or plain value of the class, which the instance must not hide. */
static bool load_shared_attr(PyObject *owner, PyObject *value, CodeUnit *at, PyObject *name, bool method)
{
    PyTypeObject *type = Py_TYPE(owner);
    int form;
    if (type->tp_flags & Py_TPFLAGS_MANAGED_DICT) {
        Shape *shape = instance_shape(owner);
        if (shape) {
            if (shape_index(shape, name) >= 0) return false;
            at[4].cache = shape->number;
            form = method ? LOAD_ATTR_METHOD_WITH_VALUES : LOAD_ATTR_NONDESCRIPTOR_WITH_VALUES;
        }
        else if (!instance_dict_if_any(owner) && method) form = LOAD_ATTR_METHOD_LAZY_DICT;
        else return false;
    }
    else if (type->tp_dictoffset == 0) form = method ? LOAD_ATTR_METHOD_NO_DICT : LOAD_ATTR_NONDESCRIPTOR_NO_DICT;
    else return false;
    cache_set_u64(at + 6, (uint64_t)(uintptr_t)value);
    specialize_to(at, form);
    return true;
}

static bool load_instance_attr(PyObject *owner, CodeUnit *at, PyObject *name)
{
    PyTypeObject *type = Py_TYPE(owner);
    if (!has_plain_getattr(type)) return false;
    uint32_t version = version_of(type);
    if (!version) return false;
    cache_set_u32(at + 2, version);
    PyObject *descr = type_lookup(type, name);
    if (!descr) return load_own_attr(owner, at, name);
    if (Py_TYPE(descr)->tp_descr_set) return load_data_descriptor(owner, descr, at);
    if (load_own_attr(owner, at, name)) return true;
    bool method = at->op.arg & 1;
    if (method) return PyType_HasFeature(Py_TYPE(descr), Py_TPFLAGS_METHOD_DESCRIPTOR) && load_shared_attr(owner, descr, at, name, true);
    return !Py_TYPE(descr)->tp_descr_get && load_shared_attr(owner, descr, at, name, false);
}

void specialize_load_attr(PyObject *owner, CodeUnit *at, PyObject *name)
{
    bool done;
    if (PyModule_CheckExact(owner)) done = load_module_attr(owner, at, name);
    else if (PyType_Check(owner)) done = load_class_attr((PyTypeObject *)owner, at, name);
    else done = load_instance_attr(owner, at, name);
    if (!done) back_off(at);
}

void specialize_store_attr(PyObject *owner, CodeUnit *at, PyObject *name)
{
    PyTypeObject *type = Py_TYPE(owner);
    uint32_t version = type->tp_setattro == PyObject_GenericSetAttr ? version_of(type) : 0;
    if (!version) goto fail;
    cache_set_u32(at + 2, version);
    PyObject *descr = type_lookup(type, name);
    if (descr && Py_TYPE(descr)->tp_descr_set) {
        if (!Py_IS_TYPE(descr, &PyMemberDescr_Type)) goto fail;
        PyMemberDef *m = ((PyMemberDescrObject *)descr)->d_member;
        if (m->type != Py_T_OBJECT_EX || m->flags & (Py_READONLY | Py_RELATIVE_OFFSET) || !fits_16(m->offset) ||
            !PyObject_TypeCheck(owner, PyDescr_TYPE(descr))) goto fail;
        at[4].cache = (uint16_t)m->offset;
        specialize_to(at, STORE_ATTR_SLOT);
        return;
    }
    if (!(type->tp_flags & Py_TPFLAGS_MANAGED_DICT) || !PyUnicode_CHECK_INTERNED(name)) goto fail;
    if (instance_shape(owner)) {
        at[4].cache = 0;
        specialize_to(at, STORE_ATTR_INSTANCE_VALUE);
        return;
    }
    PyDictObject *dict = (PyDictObject *)instance_dict_if_any(owner);
    if (!dict || !PyDict_CheckExact(dict)) goto fail;
    Py_ssize_t index = dict_lookup_index_str(dict, name);
    if (!fits_16(index) || keys_entry(dict_table(dict), index)[0] != name) goto fail;
    at[4].cache = (uint16_t)index;
    specialize_to(at, STORE_ATTR_WITH_HINT);
    return;
fail:
    back_off(at);
}

void specialize_load_super_attr(PyObject *super, PyObject *cls, CodeUnit *at, bool method)
{
    if (super != (PyObject *)&PySuper_Type || !PyType_Check(cls)) {
        back_off(at);
        return;
    }
    specialize_to(at, method ? LOAD_SUPER_ATTR_METHOD : LOAD_SUPER_ATTR_ATTR);
}

/* ---- globals --------------------------------------------------------------------------------------------------------------------- */

void specialize_load_global(Frame *f, CodeUnit *at, PyObject *name)
{
    if (!PyDict_CheckExact(f->f_globals) || !PyDict_CheckExact(f->f_builtins)) goto fail;
    PyDictObject *globals = (PyDictObject *)f->f_globals, *builtins = (PyDictObject *)f->f_builtins;
    if (!dict_has_only_str_keys(globals) || !dict_has_only_str_keys(builtins)) goto fail;
    Py_ssize_t index = dict_lookup_index_str(globals, name);
    uint32_t version = dict_keys_version(globals);
    if (!version || version > UINT16_MAX) goto fail;
    at[3].cache = (uint16_t)version;
    if (index >= 0) {
        if (!fits_16(index)) goto fail;
        at[2].cache = (uint16_t)index;
        specialize_to(at, LOAD_GLOBAL_MODULE);
        return;
    }
    index = dict_lookup_index_str(builtins, name);
    version = fits_16(index) ? dict_keys_version(builtins) : 0;
    if (!version || version > UINT16_MAX) goto fail;
    at[2].cache = (uint16_t)index;
    at[4].cache = (uint16_t)version;
    specialize_to(at, LOAD_GLOBAL_BUILTIN);
    return;
fail:
    back_off(at);
}

/* ---- operators --------------------------------------------------------------------------------------------------------------------- */

static bool both(PyObject *a, PyObject *b, PyTypeObject *type) { return Py_IS_TYPE(a, type) && Py_IS_TYPE(b, type); }
static bool both_compact(PyObject *a, PyObject *b) { return both(a, b, &PyLong_Type) && long_is_compact(LONG(a)) && long_is_compact(LONG(b)); }

void specialize_binary_op(PyObject *a, PyObject *b, CodeUnit *at, int op, PyObject **locals)
{
    bool ints = both_compact(a, b), floats = both(a, b, &PyFloat_Type);
    switch (op) {
    case NB_ADD: case NB_INPLACE_ADD:
        if (both(a, b, &PyUnicode_Type)) {
            specialize_to(at, at[2].op.code == STORE_FAST && locals[at[2].op.arg] == a ? BINARY_OP_INPLACE_ADD_UNICODE
                                                                                       : BINARY_OP_ADD_UNICODE);
            return;
        }
        if (ints || floats) {
            specialize_to(at, ints ? BINARY_OP_ADD_INT : BINARY_OP_ADD_FLOAT);
            return;
        }
        break;
    case NB_SUBTRACT: case NB_INPLACE_SUBTRACT:
        if (ints || floats) {
            specialize_to(at, ints ? BINARY_OP_SUBTRACT_INT : BINARY_OP_SUBTRACT_FLOAT);
            return;
        }
        break;
    case NB_MULTIPLY: case NB_INPLACE_MULTIPLY:
        if (ints || floats) {
            specialize_to(at, ints ? BINARY_OP_MULTIPLY_INT : BINARY_OP_MULTIPLY_FLOAT);
            return;
        }
        break;
    }
    back_off(at);
}

void specialize_compare_op(PyObject *a, PyObject *b, CodeUnit *at, int oparg)
{
    if (both_compact(a, b)) specialize_to(at, COMPARE_OP_INT);
    else if (both(a, b, &PyFloat_Type)) specialize_to(at, COMPARE_OP_FLOAT);
    else if (both(a, b, &PyUnicode_Type) && (oparg >> 5 == Py_EQ || oparg >> 5 == Py_NE)) specialize_to(at, COMPARE_OP_STR);
    else back_off(at);
}

static bool is_index(PyObject *key, Py_ssize_t n)
{
    return Py_IS_TYPE(key, &PyLong_Type) && long_is_compact(LONG(key)) && (size_t)long_compact_value(LONG(key)) < (size_t)n;
}

void specialize_binary_subscr(PyObject *container, PyObject *key, CodeUnit *at)
{
    if (PyList_CheckExact(container) && is_index(key, PyList_GET_SIZE(container))) specialize_to(at, BINARY_SUBSCR_LIST_INT);
    else if (PyTuple_CheckExact(container) && is_index(key, PyTuple_GET_SIZE(container))) specialize_to(at, BINARY_SUBSCR_TUPLE_INT);
    else if (PyUnicode_CheckExact(container) && is_index(key, PyUnicode_GET_LENGTH(container)) && PyUnicode_IS_ASCII(container))
        specialize_to(at, BINARY_SUBSCR_STR_INT);
    else if (PyDict_CheckExact(container)) specialize_to(at, BINARY_SUBSCR_DICT);
    else if (Py_TYPE(container)->tp_flags & Py_TPFLAGS_HEAPTYPE && Py_TYPE(container)->tp_as_mapping &&
             Py_TYPE(container)->tp_as_mapping->mp_subscript == slot_mp_subscript &&
             is_simple_python(type_lookup(Py_TYPE(container), STR(__getitem__)), 2)) specialize_to(at, BINARY_SUBSCR_GETITEM);
    else back_off(at);
}

void specialize_store_subscr(PyObject *container, PyObject *key, CodeUnit *at)
{
    if (PyList_CheckExact(container) && is_index(key, PyList_GET_SIZE(container))) specialize_to(at, STORE_SUBSCR_LIST_INT);
    else if (PyDict_CheckExact(container)) specialize_to(at, STORE_SUBSCR_DICT);
    else back_off(at);
}

void specialize_contains_op(PyObject *container, CodeUnit *at)
{
    if (PyDict_CheckExact(container)) specialize_to(at, CONTAINS_OP_DICT);
    else if (PyAnySet_CheckExact(container)) specialize_to(at, CONTAINS_OP_SET);
    else back_off(at);
}

void specialize_to_bool(PyObject *value, CodeUnit *at)
{
    PyTypeObject *type = Py_TYPE(value);
    if (type == &PyBool_Type) specialize_to(at, TO_BOOL_BOOL);
    else if (type == &PyLong_Type) specialize_to(at, TO_BOOL_INT);
    else if (type == &PyList_Type) specialize_to(at, TO_BOOL_LIST);
    else if (value == Py_None) specialize_to(at, TO_BOOL_NONE);
    else if (type == &PyUnicode_Type) specialize_to(at, TO_BOOL_STR);
    else {
        uint32_t version = 0;
        if (type->tp_flags & Py_TPFLAGS_HEAPTYPE && !(type->tp_as_number && type->tp_as_number->nb_bool) &&
            !(type->tp_as_mapping && type->tp_as_mapping->mp_length) && !(type->tp_as_sequence && type->tp_as_sequence->sq_length))
            version = version_of(type);
        if (!version) {
            back_off(at);
            return;
        }
        cache_set_u32(at + 2, version);
        specialize_to(at, TO_BOOL_ALWAYS_TRUE);
    }
}

/* ---- iteration ---------------------------------------------------------------------------------------------------------------------- */

void specialize_unpack_sequence(PyObject *seq, CodeUnit *at, int count)
{
    if (PyTuple_CheckExact(seq) && PyTuple_GET_SIZE(seq) == count)
        specialize_to(at, count == 2 ? UNPACK_SEQUENCE_TWO_TUPLE : UNPACK_SEQUENCE_TUPLE);
    else if (PyList_CheckExact(seq) && PyList_GET_SIZE(seq) == count) specialize_to(at, UNPACK_SEQUENCE_LIST);
    else back_off(at);
}

void specialize_for_iter(PyObject *iter, CodeUnit *at, int oparg)
{
    PyTypeObject *type = Py_TYPE(iter);
    if (type == &PyListIter_Type) specialize_to(at, FOR_ITER_LIST);
    else if (type == &PyTupleIter_Type) specialize_to(at, FOR_ITER_TUPLE);
    else if (type == &PyRangeIter_Type) specialize_to(at, FOR_ITER_RANGE);
    else if (type == &PyGen_Type && oparg < UINT16_MAX - 2) specialize_to(at, FOR_ITER_GEN);
    else back_off(at);
}

void specialize_send(PyObject *receiver, CodeUnit *at)
{
    if (PyGen_CheckExact(receiver) || PyCoro_CheckExact(receiver)) specialize_to(at, SEND_GEN);
    else back_off(at);
}

/* ---- calls ---------------------------------------------------------------------------------------------------------------------------- */

static bool call_python(PyObject *function, CodeUnit *at, int nargs, int exact, int general)
{
    PyFunctionObject *f = (PyFunctionObject *)function;
    uint32_t version = f->vectorcall == function_vectorcall ? function_version(f) : 0;
    if (!version) return false;
    cache_set_u32(at + 2, version);
    specialize_to(at, is_simple_python(function, nargs) ? exact : general);
    return true;
}

/* Objects of the class are made by object.__new__ and initialised by Python code. */
static bool call_python_class(PyTypeObject *type, CodeUnit *at)
{
    if (!(type->tp_flags & Py_TPFLAGS_HEAPTYPE) || type->tp_flags & Py_TPFLAGS_IS_ABSTRACT || type->tp_new != object_new ||
        type->tp_init != slot_tp_init || type->tp_alloc != PyType_GenericAlloc || Py_TYPE(type)->tp_call != PyType_Type.tp_call) return false;
    PyObject *init = type_lookup(type, STR(__init__));
    if (!init || !Py_IS_TYPE(init, &PyFunction_Type) || ((PyFunctionObject *)init)->vectorcall != function_vectorcall) return false;
    if (!(((PyCodeObject *)((PyFunctionObject *)init)->func_code)->co_flags & CO_OPTIMIZED)) return false;
    if (((PyCodeObject *)((PyFunctionObject *)init)->func_code)->co_flags & (CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR)) return false;
    uint32_t version = version_of(type);
    if (!version) return false;
    cache_set_u32(at + 2, version);
    specialize_to(at, CALL_ALLOC_AND_ENTER_INIT);
    return true;
}

static bool call_class(PyTypeObject *type, CodeUnit *at, int nargs)
{
    if (nargs == 1 && type == &PyType_Type) specialize_to(at, CALL_TYPE_1);
    else if (nargs == 1 && type == &PyUnicode_Type) specialize_to(at, CALL_STR_1);
    else if (nargs == 1 && type == &PyTuple_Type) specialize_to(at, CALL_TUPLE_1);
    else if (call_python_class(type, at)) {}
    else if (type->tp_flags & Py_TPFLAGS_IMMUTABLETYPE && type->tp_vectorcall && Py_TYPE(type) == &PyType_Type) specialize_to(at, CALL_BUILTIN_CLASS);
    else return false;
    return true;
}

static bool call_builtin(PyThreadState *ts, PyObject *callable, CodeUnit *at, int nargs, bool has_self)
{
    EvalState *s = &ts->interp->eval;
    if (!has_self && nargs == 1 && callable == s->builtin_len) specialize_to(at, CALL_LEN);
    else if (!has_self && nargs == 2 && callable == s->builtin_isinstance) specialize_to(at, CALL_ISINSTANCE);
    else switch (PyCFunction_GET_FLAGS(callable)) {
    case METH_O:
        if (nargs + has_self != 1) return false;
        specialize_to(at, CALL_BUILTIN_O);
        break;
    case METH_FASTCALL: specialize_to(at, CALL_BUILTIN_FAST); break;
    case METH_FASTCALL | METH_KEYWORDS: specialize_to(at, CALL_BUILTIN_FAST_WITH_KEYWORDS); break;
    default: return false;
    }
    return true;
}

static bool call_descriptor(PyThreadState *ts, PyObject *callable, PyObject *self, CodeUnit *at, int nargs)
{
    int total = nargs + (self != NULL);
    switch ((uint16_t)((PyMethodDescrObject *)callable)->d_method->ml_flags) {     /* without METH_BARE_NAME */
    case METH_NOARGS:
        if (total != 1) return false;
        specialize_to(at, CALL_METHOD_DESCRIPTOR_NOARGS);
        return true;
    case METH_O:
        if (total != 2) return false;
        specialize_to(at, self && nargs == 1 && callable == ts->interp->eval.list_append && PyList_CheckExact(self)
                          ? CALL_LIST_APPEND : CALL_METHOD_DESCRIPTOR_O);
        return true;
    case METH_FASTCALL: specialize_to(at, CALL_METHOD_DESCRIPTOR_FAST); return true;
    case METH_FASTCALL | METH_KEYWORDS: specialize_to(at, CALL_METHOD_DESCRIPTOR_FAST_WITH_KEYWORDS); return true;
    default: return false;
    }
}

void specialize_call(PyThreadState *ts, PyObject *callable, PyObject *self, CodeUnit *at, int nargs)
{
    bool done = false;
    if (PyFunction_Check(callable)) {
        done = call_python(callable, at, nargs + (self != NULL), CALL_PY_EXACT_ARGS, CALL_PY_GENERAL);
        if (!done) {
            back_off(at);
            return;
        }
    }
    else if (Py_IS_TYPE(callable, &PyMethod_Type)) {
        PyObject *function = PyMethod_GET_FUNCTION(callable);
        if (self || !PyFunction_Check(function) ||
            !call_python(function, at, nargs + 1, CALL_BOUND_METHOD_EXACT_ARGS, CALL_BOUND_METHOD_GENERAL)) back_off(at);
        return;
    }
    else if (PyCFunction_CheckExact(callable)) done = call_builtin(ts, callable, at, nargs, self != NULL);
    else if (PyType_Check(callable)) done = !self && call_class((PyTypeObject *)callable, at, nargs);
    else if (Py_IS_TYPE(callable, &PyMethodDescr_Type)) done = call_descriptor(ts, callable, self, at, nargs);
    if (!done) specialize_to(at, CALL_NON_PY_GENERAL);
}
