/* Making code objects: from parts, from the `code` constructor, from another one with replace(). */
#include "runtime/state.h"
#include "capi/args.h"
#include "eval/opcodes.h"
#include "objects/code.h"
#include "objects/code_private.h"

enum { FRAME_HEAD_WORDS = (sizeof(Frame) - 1) / sizeof(PyObject *) };

/* ---- interning ----------------------------------------------------------------------------------------------------- */

static int intern_names(PyObject *tuple)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(tuple); i++) {
        PyObject *name = PyTuple_GET_ITEM(tuple, i);
        if (!name || !PyUnicode_CheckExact(name)) {
            PyErr_SetString(PyExc_SystemError, "non-string found in code slot");
            return -1;
        }
        PyUnicode_InternInPlace(&((PyTupleObject *)tuple)->ob_item[i]);
    }
    return 0;
}

static bool looks_like_name(PyObject *s)
{
    if (!PyUnicode_IS_COMPACT_ASCII(s)) return false;
    const unsigned char *p = PyUnicode_1BYTE_DATA(s), *end = p + PyUnicode_GET_LENGTH(s);
    for (; p < end; p++)
        if (!Py_ISALNUM(*p) && *p != '_') return false;
    return true;
}

static int intern_constants(PyObject *tuple, bool *modified);

static int intern_frozenset(PyObject **slot, bool *modified)
{
    PyObject *items = PySequence_Tuple(*slot);
    bool changed = false;
    if (!items) return -1;
    int status = intern_constants(items, &changed);
    if (status == 0 && changed) {
        PyObject *set = PyFrozenSet_New(items);
        if (!set) status = -1;
        else {
            Py_SETREF(*slot, set);
            if (modified) *modified = true;
        }
    }
    Py_DECREF(items);
    return status;
}

static int intern_constants(PyObject *tuple, bool *modified)
{
    for (Py_ssize_t i = PyTuple_GET_SIZE(tuple); --i >= 0;) {
        PyObject **slot = &((PyTupleObject *)tuple)->ob_item[i], *v = *slot;
        if (PyUnicode_CheckExact(v)) {
            if (!looks_like_name(v)) continue;
            PyUnicode_InternInPlace(slot);
            if (*slot != v && modified) *modified = true;
        }
        else if (PyTuple_CheckExact(v)) {                         /* what marshal read may contain itself */
            if (Py_EnterRecursiveCall(" while making a code object")) return -1;
            int status = intern_constants(v, NULL);
            Py_LeaveRecursiveCall();
            if (status < 0) return -1;
        }
        else if (PyFrozenSet_CheckExact(v) && intern_frozenset(slot, modified) < 0) return -1;
    }
    return 0;
}

/* ---- from parts ---------------------------------------------------------------------------------------------------- */

static int parts_validate(const CodeParts *p, int *nlocals)
{
    if (p->argcount < p->posonlyargcount || p->posonlyargcount < 0 || p->kwonlyargcount < 0 || p->stacksize < 0 || p->flags < 0 ||
        !p->code || !PyBytes_Check(p->code) || !p->consts || !PyTuple_Check(p->consts) || !p->names || !PyTuple_Check(p->names) ||
        !p->localsplusnames || !PyTuple_Check(p->localsplusnames) || !p->localspluskinds || !PyBytes_Check(p->localspluskinds) ||
        PyTuple_GET_SIZE(p->localsplusnames) != PyBytes_GET_SIZE(p->localspluskinds) || !p->name || !PyUnicode_Check(p->name) ||
        !p->qualname || !PyUnicode_Check(p->qualname) || !p->filename || !PyUnicode_Check(p->filename) || !p->linetable ||
        !PyBytes_Check(p->linetable) || !p->exceptiontable || !PyBytes_Check(p->exceptiontable)) {
        PyErr_BadInternalCall();
        return -1;
    }
    if (PyBytes_GET_SIZE(p->code) > INT_MAX) {
        PyErr_SetString(PyExc_OverflowError, "code: co_code larger than INT_MAX");
        return -1;
    }
    if (PyBytes_GET_SIZE(p->code) % (Py_ssize_t)sizeof(CodeUnit)) {
        PyErr_SetString(PyExc_ValueError, "code: co_code is malformed");
        return -1;
    }
    *nlocals = 0;
    for (Py_ssize_t i = 0; i < PyBytes_GET_SIZE(p->localspluskinds); i++)
        *nlocals += !!(PyBytes_AS_STRING(p->localspluskinds)[i] & CO_FAST_LOCAL);
    int total = *nlocals - p->argcount - p->kwonlyargcount - !!(p->flags & CO_VARARGS) - !!(p->flags & CO_VARKEYWORDS);
    if (total < 0) {
        PyErr_SetString(PyExc_ValueError, "code: co_varnames is too small");
        return -1;
    }
    return 0;
}

static void code_fill(PyCodeObject *co, const CodeParts *p, int nlocals)
{
    const char *kinds = PyBytes_AS_STRING(p->localspluskinds);
    int n = (int)PyTuple_GET_SIZE(p->localsplusnames), cells = 0, frees = 0;
    for (int i = 0; i < n; i++) {
        cells += !!(kinds[i] & CO_FAST_CELL);
        frees += !!(kinds[i] & CO_FAST_FREE);
    }
    co->co_filename = Py_NewRef(p->filename);
    co->co_name = Py_NewRef(p->name);
    co->co_qualname = Py_NewRef(p->qualname);
    PyUnicode_InternInPlace(&co->co_filename);
    PyUnicode_InternInPlace(&co->co_name);
    PyUnicode_InternInPlace(&co->co_qualname);
    co->co_flags = p->flags;
    co->co_firstlineno = p->firstlineno;
    co->co_linetable = Py_NewRef(p->linetable);
    co->co_consts = Py_NewRef(p->consts);
    co->co_names = Py_NewRef(p->names);
    co->co_localsplusnames = Py_NewRef(p->localsplusnames);
    co->co_localspluskinds = Py_NewRef(p->localspluskinds);
    co->co_argcount = p->argcount;
    co->co_posonlyargcount = p->posonlyargcount;
    co->co_kwonlyargcount = p->kwonlyargcount;
    co->co_stacksize = p->stacksize ? p->stacksize : 1;       /* room for what is returned */
    co->co_exceptiontable = Py_NewRef(p->exceptiontable);
    co->co_nlocalsplus = n;
    co->co_nlocals = nlocals;
    co->co_ncellvars = cells;
    co->co_nfreevars = frees;
    co->co_framesize = n + co->co_stacksize + FRAME_HEAD_WORDS;
    EvalState *s = &interp_get()->eval;
    co->co_version = s->next_code_version;
    if (s->next_code_version) s->next_code_version++;
}

/* -X no_debug_ranges: the line table with lines alone. Entries stay as they are cut. */
COLD static PyObject *lines_without_columns(PyObject *table)
{
    const uint8_t *p = (uint8_t *)PyBytes_AS_STRING(table), *end = p + PyBytes_GET_SIZE(table);
    PyObject *result = PyBytes_FromStringAndSize(NULL, 2 * (end - p));        /* a short entry grows from 2 bytes to 2, one of a line from 3 to 2 */
    if (!result) return NULL;
    uint8_t *start = (uint8_t *)PyBytes_AS_STRING(result), *out = start;
    while (p < end) {
        int head = *p++, kind = head >> 3 & 15;
        const uint8_t *line = p;
        while (p < end && !(*p & 0x80)) p++;           /* the next entry */
        if (kind == PY_CODE_LOCATION_INFO_NONE) {
            *out++ = (uint8_t)head;
            continue;
        }
        *out++ = (uint8_t)(0x80 | PY_CODE_LOCATION_INFO_NO_COLUMNS << 3 | (head & 7));
        if (kind == PY_CODE_LOCATION_INFO_LONG || kind == PY_CODE_LOCATION_INFO_NO_COLUMNS) {
            while (line < p && *line & 0x40) *out++ = *line++;
            if (line < p) *out++ = *line;
        }
        else {
            int delta = kind >= PY_CODE_LOCATION_INFO_ONE_LINE0 && kind <= PY_CODE_LOCATION_INFO_ONE_LINE2 ? kind - PY_CODE_LOCATION_INFO_ONE_LINE0 : 0;
            *out++ = (uint8_t)(delta << 1);
        }
    }
    _PyBytes_Resize(&result, out - start);
    return result;
}

PyObject *code_new(const CodeParts *parts)
{
    int nlocals;
    if (parts_validate(parts, &nlocals) < 0) return NULL;
    if (intern_names(parts->names) < 0 || intern_names(parts->localsplusnames) < 0 || intern_constants(parts->consts, NULL) < 0)
        return NULL;
    Py_ssize_t units = PyBytes_GET_SIZE(parts->code) / (Py_ssize_t)sizeof(CodeUnit);
    PyCodeObject *co = PyObject_NewVar(PyCodeObject, &PyCode_Type, units);
    if (!co) return NULL;
    memset((char *)co + sizeof(PyVarObject), 0, offsetof(PyCodeObject, co_code_adaptive) - sizeof(PyVarObject));
    code_fill(co, parts, nlocals);
    if (UNLIKELY(!interp_get()->runtime.config.code_debug_ranges)) {
        PyObject *lines = lines_without_columns(co->co_linetable);
        if (!lines) {
            Py_DECREF(co);
            return NULL;
        }
        Py_SETREF(co->co_linetable, lines);
    }
    memcpy(co->co_code_adaptive, PyBytes_AS_STRING(parts->code), (size_t)PyBytes_GET_SIZE(parts->code));
    int entry = 0;
    while (entry < units && CODE_UNITS(co)[entry].op.code != RESUME) entry++;
    co->_co_firsttraceable = entry;
    code_quicken(co);
    if (UNLIKELY(interp_get()->eval.code_watchers_active)) code_notify(PY_CODE_EVENT_CREATE, co);
    return (PyObject *)co;
}

/* ---- from the lists that Python sees -------------------------------------------------------------------------------- */

/* What is no string is found out later. */
static bool same_name(PyObject *a, PyObject *b) { return PyUnicode_Check(a) && PyUnicode_Check(b) && PyUnicode_Compare(a, b) == 0; }

/* Variables, then cells that are no variables, then free variables. */
static int localsplus_merge(PyObject *varnames, PyObject *cellvars, PyObject *freevars, PyObject **names, PyObject **kinds)
{
    Py_ssize_t nv = PyTuple_GET_SIZE(varnames), nc = PyTuple_GET_SIZE(cellvars), nf = PyTuple_GET_SIZE(freevars), at = nv;
    PyObject *all = PyTuple_New(nv + nc + nf), *k = PyBytes_FromStringAndSize(NULL, nv + nc + nf);
    if (!all || !k) goto fail;
    char *kind = PyBytes_AS_STRING(k);
    for (Py_ssize_t i = 0; i < nv; i++) {
        PyTuple_SET_ITEM(all, i, Py_NewRef(PyTuple_GET_ITEM(varnames, i)));
        kind[i] = CO_FAST_LOCAL;
    }
    for (Py_ssize_t i = 0; i < nc; i++) {
        PyObject *name = PyTuple_GET_ITEM(cellvars, i);
        Py_ssize_t j = 0;
        for (; j < nv && !same_name(name, PyTuple_GET_ITEM(varnames, j)); j++) {}
        if (j < nv) kind[j] |= CO_FAST_CELL;
        else {
            kind[at] = CO_FAST_CELL;
            PyTuple_SET_ITEM(all, at++, Py_NewRef(name));
        }
    }
    for (Py_ssize_t i = 0; i < nf; i++) {
        kind[at] = (char)CO_FAST_FREE;
        PyTuple_SET_ITEM(all, at++, Py_NewRef(PyTuple_GET_ITEM(freevars, i)));
    }
    if (at < nv + nc + nf && (_PyTuple_Resize(&all, at) < 0 || _PyBytes_Resize(&k, at) < 0)) goto fail;
    *names = all;
    *kinds = k;
    return 0;
fail:
    Py_XDECREF(all);
    Py_XDECREF(k);
    return -1;
}

PyCodeObject *PyUnstable_Code_NewWithPosOnlyArgs(int argcount, int posonlyargcount, int kwonlyargcount, int nlocals, int stacksize,
    int flags, PyObject *code, PyObject *consts, PyObject *names, PyObject *varnames, PyObject *freevars, PyObject *cellvars,
    PyObject *filename, PyObject *name, PyObject *qualname, int firstlineno, PyObject *linetable, PyObject *exceptiontable)
{
    if (!varnames || !PyTuple_Check(varnames) || !cellvars || !PyTuple_Check(cellvars) || !freevars || !PyTuple_Check(freevars)) {
        PyErr_BadInternalCall();
        return NULL;
    }
    CodeParts p = {filename, name, qualname, flags, code, firstlineno, linetable, consts, names, NULL, NULL, argcount,
                   posonlyargcount, kwonlyargcount, stacksize, exceptiontable};
    if (localsplus_merge(varnames, cellvars, freevars, &p.localsplusnames, &p.localspluskinds) < 0) return NULL;
    PyObject *co = NULL;
    int counted;
    if (parts_validate(&p, &counted) == 0) {
        if (nlocals != PyTuple_GET_SIZE(varnames)) PyErr_SetString(PyExc_ValueError, "code: co_nlocals != len(co_varnames)");
        else co = code_new(&p);
    }
    Py_DECREF(p.localsplusnames);
    Py_DECREF(p.localspluskinds);
    return (PyCodeObject *)co;
}

PyCodeObject *PyUnstable_Code_New(int argcount, int kwonlyargcount, int nlocals, int stacksize, int flags, PyObject *code,
    PyObject *consts, PyObject *names, PyObject *varnames, PyObject *freevars, PyObject *cellvars, PyObject *filename,
    PyObject *name, PyObject *qualname, int firstlineno, PyObject *linetable, PyObject *exceptiontable)
{
    return PyUnstable_Code_NewWithPosOnlyArgs(argcount, 0, kwonlyargcount, nlocals, stacksize, flags, code, consts, names, varnames,
                                              freevars, cellvars, filename, name, qualname, firstlineno, linetable, exceptiontable);
}

PyObject *PyCode_Optimize(PyObject *code, PyObject *consts, PyObject *names, PyObject *lnotab) { return Py_NewRef(code); }

/* A function that raises AssertionError: for frames that have no Python code. */
PyCodeObject *PyCode_NewEmpty(const char *filename, const char *funcname, int firstlineno)
{
    static const uint8_t instructions[] = {RESUME, RESUME_AT_FUNC_START, LOAD_ASSERTION_ERROR, 0, RAISE_VARARGS, 1};
    static const uint8_t lines[] = {128 | PY_CODE_LOCATION_INFO_NO_COLUMNS << 3 | 2, 0};
    PyObject *file = PyUnicode_DecodeFSDefault(filename), *name = PyUnicode_FromString(funcname), *co = NULL;
    PyObject *code = PyBytes_FromStringAndSize((const char *)instructions, sizeof instructions);
    PyObject *table = PyBytes_FromStringAndSize((const char *)lines, sizeof lines);
    if (file && name && code && table) {
        CodeParts p = {file, name, name, CO_OPTIMIZED, code, firstlineno, table, EMPTY_TUPLE, EMPTY_TUPLE, EMPTY_TUPLE, EMPTY_BYTES,
                       0, 0, 0, 1, EMPTY_BYTES};
        co = code_new(&p);
    }
    Py_XDECREF(file);
    Py_XDECREF(name);
    Py_XDECREF(code);
    Py_XDECREF(table);
    return (PyCodeObject *)co;
}

/* ---- code(...) and replace() ---------------------------------------------------------------------------------------- */

/* A tuple of exact str, made of str subclasses if need be. */
static PyObject *names_checked(PyObject *tuple)
{
    Py_ssize_t n = PyTuple_GET_SIZE(tuple);
    PyObject *copy = PyTuple_New(n);
    for (Py_ssize_t i = 0; copy && i < n; i++) {
        PyObject *item = PyTuple_GET_ITEM(tuple, i);
        if (PyUnicode_CheckExact(item)) PyTuple_SET_ITEM(copy, i, Py_NewRef(item));
        else if (!PyUnicode_Check(item)) {
            PyErr_Format(PyExc_TypeError, "name tuples must contain only strings, not '%.500s'", Py_TYPE(item)->tp_name);
            Py_CLEAR(copy);
        }
        else if (!(item = PyUnicode_FromObject(item))) Py_CLEAR(copy);
        else PyTuple_SET_ITEM(copy, i, item);
    }
    return copy;
}

static int numbers_check(int argcount, int posonlyargcount, int kwonlyargcount, int nlocals)
{
    const char *bad = argcount < 0 ? "argcount" : posonlyargcount < 0 ? "posonlyargcount" : kwonlyargcount < 0 ? "kwonlyargcount"
                      : nlocals < 0 ? "nlocals" : NULL;
    if (!bad) return 0;
    PyErr_Format(PyExc_ValueError, "code: %s must not be negative", bad);
    return -1;
}

PyObject *code_type_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    int argcount, posonly, kwonly, nlocals, stacksize, flags, firstlineno;
    PyObject *code, *consts, *names, *varnames, *filename, *name, *qualname, *linetable, *exceptiontable;
    PyObject *freevars = NULL, *cellvars = NULL, *co = NULL, *n = NULL, *v = NULL, *f = NULL, *c = NULL;
    if (kwargs && PyDict_GET_SIZE(kwargs)) {
        PyErr_SetString(PyExc_TypeError, "code() takes no keyword arguments");
        return NULL;
    }
    if (PyTuple_GET_SIZE(args) < 16 || PyTuple_GET_SIZE(args) > 18) {
        PyErr_Format(PyExc_TypeError, "code expected at %s arguments, got %zd", PyTuple_GET_SIZE(args) < 16 ? "least 16" : "most 18", PyTuple_GET_SIZE(args));
        return NULL;
    }
    if (!PyArg_ParseTuple(args, "iiiiiiSO!O!O!UUUiSS|O!O!:code", &argcount, &posonly, &kwonly, &nlocals, &stacksize, &flags, &code,
                          &PyTuple_Type, &consts, &PyTuple_Type, &names, &PyTuple_Type, &varnames, &filename, &name, &qualname,
                          &firstlineno, &linetable, &exceptiontable, &PyTuple_Type, &freevars, &PyTuple_Type, &cellvars))
        return NULL;
    if (PySys_Audit("code.__new__", "OOOiiiiii", code, filename, name, argcount, posonly, kwonly, nlocals, stacksize, flags) < 0)
        return NULL;
    if (numbers_check(argcount, posonly, kwonly, nlocals) < 0) return NULL;
    if (!(n = names_checked(names)) || !(v = names_checked(varnames)) || !(f = names_checked(freevars ? freevars : EMPTY_TUPLE)) ||
        !(c = names_checked(cellvars ? cellvars : EMPTY_TUPLE))) goto done;
    co = (PyObject *)PyUnstable_Code_NewWithPosOnlyArgs(argcount, posonly, kwonly, nlocals, stacksize, flags, code, consts, n, v, f, c,
                                                        filename, name, qualname, firstlineno, linetable, exceptiontable);
done:
    Py_XDECREF(n);
    Py_XDECREF(v);
    Py_XDECREF(f);
    Py_XDECREF(c);
    return co;
}

enum { R_ARGCOUNT, R_POSONLY, R_KWONLY, R_NLOCALS, R_STACKSIZE, R_FLAGS, R_FIRSTLINENO, R_NUMBERS,
       R_CODE = R_NUMBERS, R_CONSTS, R_NAMES, R_VARNAMES, R_FREEVARS, R_CELLVARS, R_FILENAME, R_NAME, R_QUALNAME, R_LINETABLE,
       R_EXCEPTIONTABLE, R_COUNT };

static Signature replace_signature = {
    .name = "replace", .family = FAMILY_KEYWORDS,
    .text = "($self, /, *, co_argcount=0, co_posonlyargcount=0, co_kwonlyargcount=0, co_nlocals=0, co_stacksize=0, co_flags=0, "
            "co_firstlineno=0, co_code=0, co_consts=0, co_names=0, co_varnames=0, co_freevars=0, co_cellvars=0, co_filename=0, "
            "co_name=0, co_qualname=0, co_linetable=0, co_exceptiontable=0)",
};

static int replace_check(PyObject **arg)
{
    static const char *const names[R_COUNT] = {
        [R_CODE] = "co_code", [R_CONSTS] = "co_consts", [R_NAMES] = "co_names", [R_VARNAMES] = "co_varnames",
        [R_FREEVARS] = "co_freevars", [R_CELLVARS] = "co_cellvars", [R_FILENAME] = "co_filename", [R_NAME] = "co_name",
        [R_QUALNAME] = "co_qualname", [R_LINETABLE] = "co_linetable", [R_EXCEPTIONTABLE] = "co_exceptiontable" };
    for (int i = R_CODE; i < R_COUNT; i++) {
        if (!arg[i]) continue;
        bool bytes = i == R_CODE || i == R_LINETABLE || i == R_EXCEPTIONTABLE;
        bool str = i == R_FILENAME || i == R_NAME || i == R_QUALNAME;
        if (bytes ? PyBytes_Check(arg[i]) : str ? PyUnicode_Check(arg[i]) : PyTuple_Check(arg[i])) continue;
        PyErr_Format(PyExc_TypeError, "replace() argument '%s' must be %s, not %s", names[i], bytes ? "bytes" : str ? "str" : "tuple",
                     arg[i] == Py_None ? "None" : Py_TYPE(arg[i])->tp_name);
        return -1;
    }
    return 0;
}

static int replace_numbers_check(const int *number)
{
    static const char *const names[R_NUMBERS] = {"argcount", "posonlyargcount", "kwonlyargcount", "nlocals", "stacksize", "flags", "firstlineno"};
    for (int i = 0; i < R_NUMBERS; i++) {
        if (number[i] >= 0) continue;
        PyErr_Format(PyExc_ValueError, "co_%s must be a positive integer", names[i]);
        return -1;
    }
    return 0;
}

PyObject *code_replace_with(PyCodeObject *co, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    PyObject *arg[R_COUNT], *result = NULL, *code = NULL, *varnames = NULL, *freevars = NULL, *cellvars = NULL;
    if (args_bind(&replace_signature, args, nargs, kwnames, arg) < 0) return NULL;
    int number[R_NUMBERS] = {co->co_argcount, co->co_posonlyargcount, co->co_kwonlyargcount, co->co_nlocals, co->co_stacksize,
                             co->co_flags, co->co_firstlineno};
    for (int i = 0; i < R_NUMBERS; i++) {
        if (!arg[i]) continue;
        number[i] = PyLong_AsInt(arg[i]);
        if (number[i] == -1 && PyErr_Occurred()) return NULL;
    }
    if (replace_check(arg) < 0 || replace_numbers_check(number) < 0) return NULL;
    if (!(code = arg[R_CODE] ? Py_NewRef(arg[R_CODE]) : PyCode_GetCode(co))) goto done;
    if (PySys_Audit("code.__new__", "OOOiiiiii", code, arg[R_FILENAME] ? arg[R_FILENAME] : co->co_filename,
                    arg[R_NAME] ? arg[R_NAME] : co->co_name, number[0], number[1], number[2], number[3], number[4], number[5]) < 0)
        goto done;
    if (!(varnames = arg[R_VARNAMES] ? Py_NewRef(arg[R_VARNAMES]) : PyCode_GetVarnames(co))) goto done;
    if (!(freevars = arg[R_FREEVARS] ? Py_NewRef(arg[R_FREEVARS]) : PyCode_GetFreevars(co))) goto done;
    if (!(cellvars = arg[R_CELLVARS] ? Py_NewRef(arg[R_CELLVARS]) : PyCode_GetCellvars(co))) goto done;
#define OR(i, field) (arg[i] ? arg[i] : co->field)
    result = (PyObject *)PyUnstable_Code_NewWithPosOnlyArgs(number[0], number[1], number[2], number[3], number[4], number[5], code,
        OR(R_CONSTS, co_consts), OR(R_NAMES, co_names), varnames, freevars, cellvars, OR(R_FILENAME, co_filename), OR(R_NAME, co_name),
        OR(R_QUALNAME, co_qualname), number[6], OR(R_LINETABLE, co_linetable), OR(R_EXCEPTIONTABLE, co_exceptiontable));
#undef OR
done:
    Py_XDECREF(code);
    Py_XDECREF(varnames);
    Py_XDECREF(freevars);
    Py_XDECREF(cellvars);
    return result;
}
