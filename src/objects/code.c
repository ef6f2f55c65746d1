/* The code type: life, attributes, comparison. Making one is in code_new.c, its line table in code_lines.c.
 *
 * co_code_adaptive is the copy that runs: inline caches hold data, opcodes may be specialised or instrumented. What Python
 * sees as co_code is its canonical form, computed on demand and kept in _co_cached. */
#include "runtime/state.h"
#include "capi/args.h"
#include "eval/opcodes.h"
#include "objects/code.h"
#include "objects/code_private.h"

typedef struct CodeExtra { Py_ssize_t size; void *extras[]; } CodeExtra;

/* ---- canonical form ------------------------------------------------------------------------------------------------ */

int code_base_opcode(PyCodeObject *co, int unit)
{
    int op = CODE_UNITS(co)[unit].op.code;
    if (op == INSTRUMENTED_LINE) op = co->_co_monitoring->lines->data[unit * co->_co_monitoring->lines->bytes_per_entry];
    if (op == INSTRUMENTED_INSTRUCTION) op = co->_co_monitoring->per_instruction_opcodes[unit];
    return opcode_deopt[op];
}

static void code_canonical(PyCodeObject *co, CodeUnit *out)
{
    Py_ssize_t n = Py_SIZE(co);
    const CodeUnit *in = CODE_UNITS(co);
    for (Py_ssize_t i = 0; i < n;) {
        int op = code_base_opcode(co, (int)i), caches = opcode_cache_units[op];
        out[i].op.code = (uint8_t)op;
        out[i].op.arg = in[i].op.arg;
        for (i++; caches-- > 0 && i < n; i++) out[i].cache = 0;
    }
}

void code_quicken(PyCodeObject *co)
{
    CodeUnit *u = CODE_UNITS(co);
    Py_ssize_t n = Py_SIZE(co);
    for (Py_ssize_t i = 0; i < n;) {
        int op = opcode_deopt[u[i].op.code];
        /* Their original is in a side table that only monitoring makes: from outside they are as unknown as any other number. */
        if (op == INSTRUMENTED_LINE || op == INSTRUMENTED_INSTRUCTION) op = RESERVED;
        int caches = opcode_cache_units[op];
        u[i].op.code = (uint8_t)op;
        i++;
        if (caches && i < n) {
            u[i].cache = op == POP_JUMP_IF_FALSE || op == POP_JUMP_IF_TRUE || op == POP_JUMP_IF_NONE || op == POP_JUMP_IF_NOT_NONE
                         ? 0x5555 : op == JUMP_BACKWARD ? CODE_COUNTER_BACKWARD : CODE_COUNTER_WARMUP;
            for (int c = 1; c < caches && i + c < n; c++) u[i + c].cache = 0;
        }
        i += caches;
    }
}

static _PyCoCached *code_cached(PyCodeObject *co)
{
    if (!co->_co_cached) {
        co->_co_cached = PyMem_Calloc(1, sizeof(_PyCoCached));
        if (!co->_co_cached) PyErr_NoMemory();
    }
    return co->_co_cached;
}

PyObject *PyCode_GetCode(PyCodeObject *co)
{
    if (co->_co_cached && co->_co_cached->_co_code) return Py_NewRef(co->_co_cached->_co_code);
    _PyCoCached *cached = code_cached(co);
    if (!cached) return NULL;
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, Py_SIZE(co) * (Py_ssize_t)sizeof(CodeUnit));
    if (!bytes) return NULL;
    code_canonical(co, (CodeUnit *)(void *)PyBytes_AS_STRING(bytes));
    cached->_co_code = Py_NewRef(bytes);
    return bytes;
}

static PyObject *code_names_of_kind(PyCodeObject *co, int kind, PyObject **cache, int count)
{
    if (*cache) return Py_NewRef(*cache);
    PyObject *names = PyTuple_New(count);
    if (!names) return NULL;
    Py_ssize_t at = 0;
    for (int i = 0; i < co->co_nlocalsplus; i++) {
        if (!(PyBytes_AS_STRING(co->co_localspluskinds)[i] & kind)) continue;
        assert(at < count);
        PyTuple_SET_ITEM(names, at++, Py_NewRef(PyTuple_GET_ITEM(co->co_localsplusnames, i)));
    }
    assert(at == count);
    *cache = Py_NewRef(names);
    return names;
}

PyObject *PyCode_GetVarnames(PyCodeObject *co)
{
    _PyCoCached *c = code_cached(co);
    return c ? code_names_of_kind(co, CO_FAST_LOCAL, &c->_co_varnames, co->co_nlocals) : NULL;
}

PyObject *PyCode_GetCellvars(PyCodeObject *co)
{
    _PyCoCached *c = code_cached(co);
    return c ? code_names_of_kind(co, CO_FAST_CELL, &c->_co_cellvars, co->co_ncellvars) : NULL;
}

PyObject *PyCode_GetFreevars(PyCodeObject *co)
{
    _PyCoCached *c = code_cached(co);
    return c ? code_names_of_kind(co, CO_FAST_FREE, &c->_co_freevars, co->co_nfreevars) : NULL;
}

/* ---- life ---------------------------------------------------------------------------------------------------------- */

void code_notify(PyCodeEvent event, PyCodeObject *co)
{
    EvalState *s = &interp_get()->eval;
    for (int i = 0, bits = s->code_watchers_active; bits; i++, bits >>= 1) {
        if (!(bits & 1) || !s->code_watchers[i]) continue;
        if (s->code_watchers[i](event, co) < 0)
            PyErr_FormatUnraisable("Exception ignored in %s watcher callback for %R",
                                   event == PY_CODE_EVENT_CREATE ? "PY_CODE_EVENT_CREATE" : "PY_CODE_EVENT_DESTROY", (PyObject *)co);
    }
}

static void code_monitoring_free(PyCodeObject *co)
{
    _PyCoMonitoringData *m = co->_co_monitoring;
    if (!m) return;
    co->_co_monitoring = NULL;
    PyMem_Free(m->tools);
    PyMem_Free(m->lines);
    PyMem_Free(m->line_tools);
    PyMem_Free(m->per_instruction_opcodes);
    PyMem_Free(m->per_instruction_tools);
    PyMem_Free(m);
}

static void code_dealloc(PyCodeObject *co)
{
    Py_SET_REFCNT(co, 1);                            /* watchers and unraisable hooks may look at it */
    if (interp_get()->eval.code_watchers_active) {
        PyObject *exc = PyErr_GetRaisedException();
        code_notify(PY_CODE_EVENT_DESTROY, co);
        PyErr_SetRaisedException(exc);
        if (Py_REFCNT(co) > 1) {                     /* resurrected */
            Py_SET_REFCNT(co, Py_REFCNT(co) - 1);
            return;
        }
    }
    Py_SET_REFCNT(co, 0);
    CodeExtra *extra = co->co_extra;
    if (extra) {
        EvalState *s = &interp_get()->eval;
        for (Py_ssize_t i = 0; i < extra->size && i < s->code_extra_count; i++)
            if (extra->extras[i] && s->code_extra_free[i]) s->code_extra_free[i](extra->extras[i]);
        PyMem_Free(extra);
    }
    Py_XDECREF(co->co_consts);
    Py_XDECREF(co->co_names);
    Py_XDECREF(co->co_localsplusnames);
    Py_XDECREF(co->co_localspluskinds);
    Py_XDECREF(co->co_filename);
    Py_XDECREF(co->co_name);
    Py_XDECREF(co->co_qualname);
    Py_XDECREF(co->co_linetable);
    Py_XDECREF(co->co_exceptiontable);
    if (co->_co_cached) {
        Py_XDECREF(co->_co_cached->_co_code);
        Py_XDECREF(co->_co_cached->_co_cellvars);
        Py_XDECREF(co->_co_cached->_co_freevars);
        Py_XDECREF(co->_co_cached->_co_varnames);
        PyMem_Free(co->_co_cached);
    }
    if (co->co_weakreflist) PyObject_ClearWeakRefs((PyObject *)co);
    code_monitoring_free(co);
    PyObject_Free(co);
}

int PyCode_AddWatcher(PyCode_WatchCallback callback)
{
    EvalState *s = &interp_get()->eval;
    for (int i = 0; i < CODE_WATCHERS_MAX; i++) {
        if (s->code_watchers[i]) continue;
        s->code_watchers[i] = callback;
        s->code_watchers_active |= (uint8_t)(1 << i);
        return i;
    }
    PyErr_SetString(PyExc_RuntimeError, "no more code watcher IDs available");
    return -1;
}

int PyCode_ClearWatcher(int id)
{
    EvalState *s = &interp_get()->eval;
    if (id < 0 || id >= CODE_WATCHERS_MAX) {
        PyErr_Format(PyExc_ValueError, "Invalid code watcher ID %d", id);
        return -1;
    }
    if (!s->code_watchers[id]) {
        PyErr_Format(PyExc_ValueError, "No code watcher set for ID %d", id);
        return -1;
    }
    s->code_watchers[id] = NULL;
    s->code_watchers_active &= (uint8_t)~(1 << id);
    return 0;
}

Py_ssize_t PyUnstable_Eval_RequestCodeExtraIndex(freefunc free)
{
    EvalState *s = &interp_get()->eval;
    if (s->code_extra_count == CODE_EXTRA_MAX - 1) return -1;
    s->code_extra_free[s->code_extra_count] = free;
    return s->code_extra_count++;
}

int PyUnstable_Code_GetExtra(PyObject *code, Py_ssize_t index, void **value)
{
    if (!PyCode_Check(code)) {
        PyErr_BadInternalCall();
        return -1;
    }
    CodeExtra *extra = ((PyCodeObject *)code)->co_extra;
    *value = extra && index >= 0 && index < extra->size ? extra->extras[index] : NULL;
    return 0;
}

int PyUnstable_Code_SetExtra(PyObject *code, Py_ssize_t index, void *value)
{
    EvalState *s = &interp_get()->eval;
    if (!PyCode_Check(code) || index < 0 || index >= s->code_extra_count) {
        PyErr_BadInternalCall();
        return -1;
    }
    PyCodeObject *co = (PyCodeObject *)code;
    CodeExtra *extra = co->co_extra;
    if (!extra || extra->size <= index) {
        Py_ssize_t old = extra ? extra->size : 0;
        extra = PyMem_Realloc(extra, sizeof(CodeExtra) + (size_t)s->code_extra_count * sizeof(void *));
        if (!extra) {
            PyErr_NoMemory();
            return -1;
        }
        for (Py_ssize_t i = old; i < s->code_extra_count; i++) extra->extras[i] = NULL;
        extra->size = s->code_extra_count;
        co->co_extra = extra;
    }
    if (extra->extras[index] && s->code_extra_free[index]) s->code_extra_free[index](extra->extras[index]);
    extra->extras[index] = value;
    return 0;
}

/* ---- comparison ---------------------------------------------------------------------------------------------------- */

static PyObject *key_of_items(PyObject *op)
{
    Py_ssize_t n = PyTuple_GET_SIZE(op);
    PyObject *keys = PyTuple_New(n);
    for (Py_ssize_t i = 0; keys && i < n; i++) {
        PyObject *key = _PyCode_ConstantKey(PyTuple_GET_ITEM(op, i));
        if (!key) Py_CLEAR(keys);
        else PyTuple_SET_ITEM(keys, i, key);
    }
    if (!keys) return NULL;
    PyObject *result = PyTuple_Pack(2, keys, op);
    Py_DECREF(keys);
    return result;
}

static PyObject *key_of_frozenset(PyObject *op)
{
    PyObject *list = PySequence_List(op), *set = NULL, *result = NULL;
    if (!list) return NULL;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); i++) {
        PyObject *key = _PyCode_ConstantKey(PyList_GET_ITEM(list, i));
        if (!key || PyList_SetItem(list, i, key) < 0) goto done;
    }
    if (!(set = PyFrozenSet_New(list))) goto done;
    result = PyTuple_Pack(2, set, op);
done:
    Py_XDECREF(set);
    Py_DECREF(list);
    return result;
}

PyObject *_PyCode_ConstantKey(PyObject *op)
{
    if (op == Py_None || op == Py_Ellipsis || PyLong_CheckExact(op) || PyUnicode_CheckExact(op) || PyCode_Check(op))
        return Py_NewRef(op);
    if (PyBool_Check(op) || PyBytes_CheckExact(op)) return PyTuple_Pack(2, Py_TYPE(op), op);
    if (PyFloat_CheckExact(op)) {
        double d = PyFloat_AS_DOUBLE(op);
        return d == 0.0 && signbit(d) ? PyTuple_Pack(3, Py_TYPE(op), op, Py_None) : PyTuple_Pack(2, Py_TYPE(op), op);
    }
    if (PyComplex_CheckExact(op)) {
        Py_complex z = PyComplex_AsCComplex(op);
        bool real = z.real == 0.0 && signbit(z.real), imag = z.imag == 0.0 && signbit(z.imag);
        if (real && imag) return PyTuple_Pack(3, Py_TYPE(op), op, Py_True);
        if (imag) return PyTuple_Pack(3, Py_TYPE(op), op, Py_False);
        if (real) return PyTuple_Pack(3, Py_TYPE(op), op, Py_None);
        return PyTuple_Pack(2, Py_TYPE(op), op);
    }
    if (PyTuple_CheckExact(op)) return key_of_items(op);
    if (PyFrozenSet_CheckExact(op)) return key_of_frozenset(op);
    PyObject *id = PyLong_FromVoidPtr(op);
    if (!id) return NULL;
    PyObject *key = PyTuple_Pack(2, id, op);
    Py_DECREF(id);
    return key;
}

static bool code_same_instructions(PyCodeObject *a, PyCodeObject *b)
{
    Py_ssize_t n = Py_SIZE(a);
    for (Py_ssize_t i = 0; i < n; i++) {
        int op = code_base_opcode(a, (int)i);
        if (op != code_base_opcode(b, (int)i) || CODE_UNITS(a)[i].op.arg != CODE_UNITS(b)[i].op.arg) return false;
        i += opcode_cache_units[op];
    }
    return true;
}

static int code_equal(PyCodeObject *a, PyCodeObject *b)
{
    if (a == b) return 1;
    if (a->co_argcount != b->co_argcount || a->co_posonlyargcount != b->co_posonlyargcount ||
        a->co_kwonlyargcount != b->co_kwonlyargcount || a->co_flags != b->co_flags || a->co_firstlineno != b->co_firstlineno ||
        Py_SIZE(a) != Py_SIZE(b)) return 0;
    int eq = PyObject_RichCompareBool(a->co_name, b->co_name, Py_EQ);
    if (eq <= 0) return eq;
    if (!code_same_instructions(a, b)) return 0;
    PyObject *ka = _PyCode_ConstantKey(a->co_consts), *kb = ka ? _PyCode_ConstantKey(b->co_consts) : NULL;
    eq = kb ? PyObject_RichCompareBool(ka, kb, Py_EQ) : -1;
    Py_XDECREF(ka);
    Py_XDECREF(kb);
    if (eq <= 0) return eq;
    if ((eq = PyObject_RichCompareBool(a->co_names, b->co_names, Py_EQ)) <= 0) return eq;
    if ((eq = PyObject_RichCompareBool(a->co_localsplusnames, b->co_localsplusnames, Py_EQ)) <= 0) return eq;
    if ((eq = PyObject_RichCompareBool(a->co_linetable, b->co_linetable, Py_EQ)) <= 0) return eq;
    return PyObject_RichCompareBool(a->co_exceptiontable, b->co_exceptiontable, Py_EQ);
}

static PyObject *code_richcompare(PyObject *self, PyObject *other, int op)
{
    if ((op != Py_EQ && op != Py_NE) || !PyCode_Check(self) || !PyCode_Check(other)) Py_RETURN_NOTIMPLEMENTED;
    int eq = code_equal((PyCodeObject *)self, (PyCodeObject *)other);
    if (eq < 0) return NULL;
    return PyBool_FromLong(op == Py_EQ ? eq : !eq);
}

static Py_hash_t code_hash(PyCodeObject *co)
{
    Py_uhash_t h = 20221211u;
    PyObject *parts[] = {co->co_name, co->co_consts, co->co_names, co->co_localsplusnames, co->co_linetable, co->co_exceptiontable};
    for (size_t i = 0; i < ARRAY_LENGTH(parts); i++) {
        Py_hash_t part = PyObject_Hash(parts[i]);
        if (part == -1) return -1;
        h = (h ^ (Py_uhash_t)part) * 1000003u;
    }
    int numbers[] = {co->co_argcount, co->co_posonlyargcount, co->co_kwonlyargcount, co->co_flags, co->co_firstlineno, (int)Py_SIZE(co)};
    for (size_t i = 0; i < ARRAY_LENGTH(numbers); i++) h = (h ^ (Py_uhash_t)numbers[i]) * 1000003u;
    for (Py_ssize_t i = 0; i < Py_SIZE(co); i++) {
        int op = code_base_opcode(co, (int)i);
        h = (h ^ (Py_uhash_t)op) * 1000003u;
        h = (h ^ CODE_UNITS(co)[i].op.arg) * 1000003u;
        i += opcode_cache_units[op];
    }
    return (Py_hash_t)h == -1 ? -2 : (Py_hash_t)h;
}

static PyObject *code_repr(PyCodeObject *co)
{
    return PyUnicode_FromFormat("<code object %U at %p, file \"%U\", line %d>", co->co_name, co, co->co_filename,
                                co->co_firstlineno ? co->co_firstlineno : -1);
}

/* ---- attributes and methods ---------------------------------------------------------------------------------------- */

static PyObject *code_get_code(PyCodeObject *co, void *closure) { return PyCode_GetCode(co); }
static PyObject *code_get_varnames(PyCodeObject *co, void *closure) { return PyCode_GetVarnames(co); }
static PyObject *code_get_cellvars(PyCodeObject *co, void *closure) { return PyCode_GetCellvars(co); }
static PyObject *code_get_freevars(PyCodeObject *co, void *closure) { return PyCode_GetFreevars(co); }
static PyObject *code_get_adaptive(PyCodeObject *co, void *closure)
{
    return PyBytes_FromStringAndSize(co->co_code_adaptive, Py_SIZE(co) * (Py_ssize_t)sizeof(CodeUnit));
}
static PyObject *code_get_lnotab(PyCodeObject *co, void *closure)
{
    if (PyErr_WarnEx(PyExc_DeprecationWarning, "co_lnotab is deprecated, use co_lines instead.", 1) < 0) return NULL;
    return code_lnotab(co);
}

static PyGetSetDef code_getset[] = {
    {"co_lnotab", (getter)code_get_lnotab},
    {"_co_code_adaptive", (getter)code_get_adaptive},
    {"co_varnames", (getter)code_get_varnames},
    {"co_cellvars", (getter)code_get_cellvars},
    {"co_freevars", (getter)code_get_freevars},
    {"co_code", (getter)code_get_code},
    {0},
};

#define OFF(field) offsetof(PyCodeObject, field)
static PyMemberDef code_members[] = {
    {"co_argcount", Py_T_INT, OFF(co_argcount), Py_READONLY},
    {"co_posonlyargcount", Py_T_INT, OFF(co_posonlyargcount), Py_READONLY},
    {"co_kwonlyargcount", Py_T_INT, OFF(co_kwonlyargcount), Py_READONLY},
    {"co_stacksize", Py_T_INT, OFF(co_stacksize), Py_READONLY},
    {"co_flags", Py_T_INT, OFF(co_flags), Py_READONLY},
    {"co_names", _Py_T_OBJECT, OFF(co_names), Py_READONLY},
    {"co_filename", _Py_T_OBJECT, OFF(co_filename), Py_READONLY},
    {"co_name", _Py_T_OBJECT, OFF(co_name), Py_READONLY},
    {"co_qualname", _Py_T_OBJECT, OFF(co_qualname), Py_READONLY},
    {"co_firstlineno", Py_T_INT, OFF(co_firstlineno), Py_READONLY},
    {"co_linetable", _Py_T_OBJECT, OFF(co_linetable), Py_READONLY},
    {"co_exceptiontable", _Py_T_OBJECT, OFF(co_exceptiontable), Py_READONLY},
    {"co_nlocals", Py_T_INT, OFF(co_nlocals), Py_READONLY},
    {"co_consts", _Py_T_OBJECT, OFF(co_consts), Py_READONLY},
    {0},
};

BUILTIN_NOARGS(code, __sizeof__, "($self, /)", "Bytes of this code object, its extras and caches included.")
{
    PyCodeObject *co = (PyCodeObject *)self;
    Py_ssize_t size = (Py_ssize_t)offsetof(PyCodeObject, co_code_adaptive) + Py_SIZE(co) * (Py_ssize_t)sizeof(CodeUnit);
    CodeExtra *extra = co->co_extra;
    if (extra) size += (Py_ssize_t)sizeof(CodeExtra) + extra->size * (Py_ssize_t)sizeof(void *);
    return PyLong_FromSsize_t(size);
}

BUILTIN_NOARGS(code, co_lines, "($self, /)", "Iterate over (start, end, line) ranges of the bytecode.")
{
    return code_line_iterator((PyCodeObject *)self);
}

BUILTIN_NOARGS(code, co_positions, "($self, /)", "Iterate over (line, end line, column, end column), one per code unit.")
{
    return code_position_iterator((PyCodeObject *)self);
}

BUILTIN(code, _varname_from_oparg, KEYWORDS, "($self, /, oparg)", "Name of the local variable that an instruction's argument means.")
{
    int i = PyLong_AsInt(arg[0]);
    if (i == -1 && PyErr_Occurred()) return NULL;
    PyObject *names = ((PyCodeObject *)self)->co_localsplusnames;
    if (i < 0 || i >= PyTuple_GET_SIZE(names)) {
        PyErr_SetString(PyExc_IndexError, "tuple index out of range");
        return NULL;
    }
    return Py_NewRef(PyTuple_GET_ITEM(names, i));
}

BUILTIN_RAW(code, replace, "($self, /, **changes)", "A copy of the code object with the given attributes changed.")
{
    return code_replace_with((PyCodeObject *)self, args, nargs, kwnames);
}

static PyMethodDef code_methods[] = {
    METHOD(code, __sizeof__),
    METHOD(code, co_lines),
    METHOD(code, co_positions),
    METHOD(code, replace),
    METHOD(code, _varname_from_oparg),
    {"__replace__", (PyCFunction)(void (*)(void))code_replace, METH_FASTCALL | METH_KEYWORDS,
     "__replace__($self, /, **changes)\n--\n\nThe same as replace()."},
    {0},
};

PyTypeObject PyCode_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "code",
    .tp_basicsize = offsetof(PyCodeObject, co_code_adaptive),
    .tp_itemsize = sizeof(CodeUnit),
    .tp_dealloc = (destructor)code_dealloc,
    .tp_repr = (reprfunc)code_repr,
    .tp_hash = (hashfunc)code_hash,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_doc = "code(argcount, posonlyargcount, kwonlyargcount, nlocals, stacksize,\n     flags, codestring, constants, names, "
              "varnames, filename, name,\n     qualname, firstlineno, linetable, exceptiontable, freevars=(),\n     cellvars=(), /)"
              "\n--\n\nMake a code object. For those who know what they do.",
    .tp_richcompare = code_richcompare,
    .tp_weaklistoffset = offsetof(PyCodeObject, co_weakreflist),
    .tp_methods = code_methods,
    .tp_members = code_members,
    .tp_getset = code_getset,
    .tp_new = code_type_new,
};
