/* PyObject_*: what every object can be asked. Reading, setting and naming attributes, repr, str, hash, truth, comparison, dir;
 * and the exported forms of what the headers do inline. */
#include "objects/long.h"
#include "objects/compare.h"
#include "objects/function.h"
#include "objects/instance.h"

#include "objects/unicode.h"

#include <ctype.h>

/* ---- references -------------------------------------------------------------------------------------------------------- */

PyObject *(Py_NewRef)(PyObject *o) { return Py_NewRef(o); }
PyObject *(Py_XNewRef)(PyObject *o) { return Py_XNewRef(o); }
void Py_IncRef(PyObject *o) { Py_XINCREF(o); }
void Py_DecRef(PyObject *o) { Py_XDECREF(o); }
void _Py_IncRef(PyObject *o) { Py_INCREF(o); }
void _Py_DecRef(PyObject *o) { Py_DECREF(o); }
int (Py_Is)(PyObject *a, PyObject *b) { return a == b; }
int (Py_IsNone)(PyObject *o) { return o == Py_None; }
void _Py_SetRefcnt(PyObject *o, Py_ssize_t n) { Py_SET_REFCNT(o, n); }

static void new_reference(PyObject *o)
{
    o->ob_refcnt = 1;
    if (UNLIKELY(_PyRuntime.memory.tracer != NULL)) _PyRuntime.memory.tracer(o, PyRefTracer_CREATE, _PyRuntime.memory.tracer_data);
}

void _Py_NewReference(PyObject *o) { new_reference(o); }
void _Py_NewReferenceNoTotal(PyObject *o) { new_reference(o); }
void _Py_ResurrectReference(PyObject *o) { o->ob_refcnt = 1; }

PyObject *PyObject_Init(PyObject *o, PyTypeObject *type)
{
    if (!o) return PyErr_NoMemory();
    o->ob_type = type;
    if (type->tp_flags & Py_TPFLAGS_HEAPTYPE) Py_INCREF(type);
    new_reference(o);
    return o;
}

PyVarObject *PyObject_InitVar(PyVarObject *o, PyTypeObject *type, Py_ssize_t size)
{
    if (!o) return (PyVarObject *)PyErr_NoMemory();
    o->ob_size = size;                          /* Py_SET_SIZE would look at the type, which is not there yet */
    PyObject_Init((PyObject *)o, type);
    return o;
}

PyObject *Py_GetConstantBorrowed(unsigned int id)
{
    PyObject *const constants[] = {
        [Py_CONSTANT_NONE] = Py_None, [Py_CONSTANT_FALSE] = Py_False, [Py_CONSTANT_TRUE] = Py_True,
        [Py_CONSTANT_ELLIPSIS] = Py_Ellipsis, [Py_CONSTANT_NOT_IMPLEMENTED] = Py_NotImplemented,
        [Py_CONSTANT_ZERO] = SMALL_INT(0), [Py_CONSTANT_ONE] = SMALL_INT(1), [Py_CONSTANT_EMPTY_STR] = EMPTY_STR,
        [Py_CONSTANT_EMPTY_BYTES] = EMPTY_BYTES, [Py_CONSTANT_EMPTY_TUPLE] = EMPTY_TUPLE,
    };
    if (id < ARRAY_LENGTH(constants)) return constants[id];
    PyErr_BadInternalCall();
    return NULL;
}

PyObject *Py_GetConstant(unsigned int id) { return Py_GetConstantBorrowed(id); }   /* all immortal */

/* ---- attributes ---------------------------------------------------------------------------------------------------------- */

COLD static int name_not_str(PyObject *name)
{
    PyErr_Format(PyExc_TypeError, "attribute name must be string, not '%.200s'", Py_TYPE(name)->tp_name);
    return -1;
}

COLD NOINLINE static PyObject *getattr_unusual(PyObject *o, PyObject *name)
{
    PyTypeObject *type = Py_TYPE(o);
    if (type->tp_getattr) {
        const char *text = PyUnicode_AsUTF8(name);
        return text ? type->tp_getattr(o, (char *)text) : NULL;
    }
    PyErr_Format(PyExc_AttributeError, "'%.100s' object has no attribute '%U'", type->tp_name, name);
    return NULL;
}

PyObject *PyObject_GetAttr(PyObject *o, PyObject *name)
{
    if (UNLIKELY(!PyUnicode_Check(name))) {
        name_not_str(name);
        return NULL;
    }
    getattrofunc get = Py_TYPE(o)->tp_getattro;
    PyObject *result = LIKELY(get != NULL) ? get(o, name) : getattr_unusual(o, name);
    if (UNLIKELY(!result) && PyErr_ExceptionMatches(PyExc_AttributeError)) attribute_error_set_context(o, name);
    return result;
}

int PyObject_GetOptionalAttr(PyObject *o, PyObject *name, PyObject **result)
{
    PyTypeObject *type = Py_TYPE(o);
    *result = NULL;
    if (UNLIKELY(!PyUnicode_Check(name))) return name_not_str(name);
    if (type->tp_getattro == PyObject_GenericGetAttr) *result = _PyObject_GenericGetAttrWithDict(o, name, NULL, 1);
    else if (type->tp_getattro == PyType_Type.tp_getattro) *result = type_getattr((PyTypeObject *)o, name, true);
    else if (type->tp_getattro == PyModule_Type.tp_getattro) *result = module_getattr(o, name, true);
    else {
        *result = type->tp_getattro ? type->tp_getattro(o, name) : getattr_unusual(o, name);
        if (*result) return 1;
        if (!PyErr_ExceptionMatches(PyExc_AttributeError)) return -1;
        PyErr_Clear();
        return 0;
    }
    if (*result) return 1;
    return PyErr_Occurred() ? -1 : 0;
}

int PyObject_HasAttrWithError(PyObject *o, PyObject *name)
{
    PyObject *value;
    int found = PyObject_GetOptionalAttr(o, name, &value);
    Py_XDECREF(value);
    return found;
}

int PyObject_HasAttr(PyObject *o, PyObject *name)
{
    int found = PyObject_HasAttrWithError(o, name);
    if (found >= 0) return found;
    PyErr_FormatUnraisable("Exception ignored in PyObject_HasAttr(); consider using PyObject_HasAttrWithError(), "
                           "PyObject_GetOptionalAttr() or PyObject_GetAttr()");
    return 0;
}

COLD NOINLINE static int setattr_unusual(PyObject *o, PyObject *name, PyObject *value)
{
    PyTypeObject *type = Py_TYPE(o);
    if (type->tp_setattr) {
        const char *text = PyUnicode_AsUTF8(name);
        return text ? type->tp_setattr(o, (char *)text, value) : -1;
    }
    PyErr_Format(PyExc_TypeError, "'%.100s' object has %s (%s .%U)", type->tp_name,
                 type->tp_getattr || type->tp_getattro ? "only read-only attributes" : "no attributes", value ? "assign to" : "del", name);
    return -1;
}

int PyObject_SetAttr(PyObject *o, PyObject *name, PyObject *value)
{
    if (UNLIKELY(!PyUnicode_Check(name))) return name_not_str(name);
    Py_INCREF(name);
    PyUnicode_InternInPlace(&name);
    setattrofunc set = Py_TYPE(o)->tp_setattro;
    int status = LIKELY(set != NULL) ? set(o, name, value) : setattr_unusual(o, name, value);
    Py_DECREF(name);
    return status;
}

int PyObject_DelAttr(PyObject *o, PyObject *name) { return PyObject_SetAttr(o, name, NULL); }

PyObject *PyObject_GetAttrString(PyObject *o, const char *name)
{
    if (Py_TYPE(o)->tp_getattr) return Py_TYPE(o)->tp_getattr(o, (char *)name);
    PyObject *key = PyUnicode_FromString(name);
    if (!key) return NULL;
    PyObject *result = PyObject_GetAttr(o, key);
    Py_DECREF(key);
    return result;
}

int PyObject_GetOptionalAttrString(PyObject *o, const char *name, PyObject **result)
{
    *result = NULL;
    if (!Py_TYPE(o)->tp_getattr) {
        PyObject *key = PyUnicode_FromString(name);
        if (!key) return -1;
        int found = PyObject_GetOptionalAttr(o, key, result);
        Py_DECREF(key);
        return found;
    }
    *result = Py_TYPE(o)->tp_getattr(o, (char *)name);
    if (*result) return 1;
    if (!PyErr_ExceptionMatches(PyExc_AttributeError)) return -1;
    PyErr_Clear();
    return 0;
}

int PyObject_HasAttrStringWithError(PyObject *o, const char *name)
{
    PyObject *value;
    int found = PyObject_GetOptionalAttrString(o, name, &value);
    Py_XDECREF(value);
    return found;
}

int PyObject_HasAttrString(PyObject *o, const char *name)
{
    int found = PyObject_HasAttrStringWithError(o, name);
    if (found >= 0) return found;
    PyErr_FormatUnraisable("Exception ignored in PyObject_HasAttrString(); consider using PyObject_HasAttrStringWithError(), "
                           "PyObject_GetOptionalAttrString() or PyObject_GetAttrString()");
    return 0;
}

int PyObject_SetAttrString(PyObject *o, const char *name, PyObject *value)
{
    if (Py_TYPE(o)->tp_setattr) return Py_TYPE(o)->tp_setattr(o, (char *)name, value);
    PyObject *key = PyUnicode_InternFromString(name);
    if (!key) return -1;
    int status = PyObject_SetAttr(o, key, value);
    Py_DECREF(key);
    return status;
}

int PyObject_DelAttrString(PyObject *o, const char *name) { return PyObject_SetAttrString(o, name, NULL); }

PyObject *PyObject_SelfIter(PyObject *o) { return Py_NewRef(o); }

PyObject *_PyObject_NextNotImplemented(PyObject *self)
{
    PyErr_Format(PyExc_TypeError, "'%.200s' object is not iterable", Py_TYPE(self)->tp_name);
    return NULL;
}

/* ---- text ---------------------------------------------------------------------------------------------------------------- */

PyObject *PyObject_Repr(PyObject *o)
{
    if (PyErr_CheckSignals() < 0) return NULL;
    if (!o) return PyUnicode_FromString("<NULL>");
    if (!Py_TYPE(o)->tp_repr) return PyUnicode_FromFormat("<%s object at %p>", Py_TYPE(o)->tp_name, o);
    Thread *t = thread_get();
    if (c_call_enter(t, " while getting the repr of an object")) return NULL;
    PyObject *result = Py_TYPE(o)->tp_repr(o);
    c_call_leave(t);
    if (!result || LIKELY(PyUnicode_Check(result))) return result;
    PyErr_Format(PyExc_TypeError, "__repr__ returned non-string (type %.200s)", Py_TYPE(result)->tp_name);
    Py_DECREF(result);
    return NULL;
}

PyObject *PyObject_Str(PyObject *o)
{
    if (PyErr_CheckSignals() < 0) return NULL;
    if (!o) return PyUnicode_FromString("<NULL>");
    if (PyUnicode_CheckExact(o)) return Py_NewRef(o);
    if (!Py_TYPE(o)->tp_str) return PyObject_Repr(o);
    Thread *t = thread_get();
    if (c_call_enter(t, " while getting the str of an object")) return NULL;
    PyObject *result = Py_TYPE(o)->tp_str(o);
    c_call_leave(t);
    if (!result || LIKELY(PyUnicode_Check(result))) return result;
    PyErr_Format(PyExc_TypeError, "__str__ returned non-string (type %.200s)", Py_TYPE(result)->tp_name);
    Py_DECREF(result);
    return NULL;
}

PyObject *PyObject_ASCII(PyObject *o)
{
    PyObject *repr = PyObject_Repr(o);
    if (!repr || PyUnicode_IS_ASCII(repr)) return repr;
    PyObject *bytes = PyUnicode_AsEncodedString(repr, "ascii", "backslashreplace");
    Py_DECREF(repr);
    if (!bytes) return NULL;
    PyObject *result = PyUnicode_DecodeASCII(PyBytes_AS_STRING(bytes), PyBytes_GET_SIZE(bytes), "strict");
    Py_DECREF(bytes);
    return result;
}

PyObject *PyObject_Bytes(PyObject *o)
{
    if (!o) return PyBytes_FromString("<NULL>");
    if (PyBytes_CheckExact(o)) return Py_NewRef(o);
    PyObject *method = type_lookup_special_bound(o, STR(__bytes__));
    if (!method) return PyErr_Occurred() ? NULL : PyBytes_FromObject(o);
    PyObject *result = PyObject_CallNoArgs(method);
    Py_DECREF(method);
    if (!result || PyBytes_Check(result)) return result;
    PyErr_Format(PyExc_TypeError, "__bytes__ returned non-bytes (type %.200s)", Py_TYPE(result)->tp_name);
    Py_DECREF(result);
    return NULL;
}

/* "module.name()" for error messages. */
PyObject *_PyObject_FunctionStr(PyObject *o)
{
    PyObject *qualname, *module = NULL, *result = NULL;
    if (PyObject_GetOptionalAttr(o, STR(__qualname__), &qualname) < 0) return NULL;
    if (!qualname) return PyObject_Str(o);
    if (PyObject_GetOptionalAttr(o, STR(__module__), &module) < 0) goto done;
    if (module && module != Py_None) {
        int other = PyObject_RichCompareBool(module, STR(builtins), Py_NE);
        if (other < 0) goto done;
        if (other) {
            result = PyUnicode_FromFormat("%S.%S()", module, qualname);
            goto done;
        }
    }
    result = PyUnicode_FromFormat("%S()", qualname);
done:
    Py_DECREF(qualname);
    Py_XDECREF(module);
    return result;
}

int PyObject_Print(PyObject *o, FILE *file, int flags)
{
    if (PyErr_CheckSignals() < 0) return -1;
    clearerr(file);
    if (!o) fputs("<nil>", file);
    else if (Py_REFCNT(o) <= 0) fprintf(file, "<refcnt %zd at %p>", Py_REFCNT(o), (void *)o);
    else {
        PyObject *text = flags & Py_PRINT_RAW ? PyObject_Str(o) : PyObject_Repr(o);
        if (!text) return -1;
        PyObject *bytes = PyUnicode_AsEncodedString(text, "utf-8", "backslashreplace");
        Py_DECREF(text);
        if (!bytes) return -1;
        fwrite(PyBytes_AS_STRING(bytes), 1, (size_t)PyBytes_GET_SIZE(bytes), file);
        Py_DECREF(bytes);
    }
    if (!ferror(file)) return 0;
    PyErr_SetFromErrno(PyExc_OSError);
    clearerr(file);
    return -1;
}

COLD void _PyObject_Dump(PyObject *o)
{
    if (!o) {
        fprintf(stderr, "<object at NULL>\n");
        return;
    }
    fprintf(stderr, "object address  : %p\nobject refcount : %zd\n", (void *)o, Py_REFCNT(o));
    PyTypeObject *type = Py_TYPE(o);
    fprintf(stderr, "object type     : %p\nobject type name: %s\n", (void *)type, type ? type->tp_name : "NULL");
    fprintf(stderr, "object repr     : ");
    fflush(stderr);
    PyGILState_STATE gil = PyGILState_Ensure();
    PyObject *saved = PyErr_GetRaisedException();
    if (PyObject_Print(o, stderr, 0) < 0) PyErr_Clear();
    fflush(stderr);
    PyErr_SetRaisedException(saved);
    PyGILState_Release(gil);
    fprintf(stderr, "\n");
    fflush(stderr);
}

void _Py_BreakPoint(void) {}

COLD void _PyObject_AssertFailed(PyObject *o, const char *expr, const char *msg, const char *file, int line, const char *function)
{
    fprintf(stderr, "%s:%d: ", file, line);
    if (function) fprintf(stderr, "%s: ", function);
    if (expr) fprintf(stderr, "Assertion \"%s\" failed", expr);
    else fprintf(stderr, "Assertion failed");
    if (msg) fprintf(stderr, ": %s", msg);
    fprintf(stderr, "\n");
    fflush(stderr);
    _PyObject_Dump(o);
    Py_FatalError("_PyObject_AssertFailed");
}

/* ---- recursion of repr ------------------------------------------------------------------------------------------------------ */

static PyObject *repr_key(void) { return PyUnicode_InternFromString("Py_Repr"); }

/* Objects whose repr runs in this thread are in a list: 1 when o is among them. */
int Py_ReprEnter(PyObject *o)
{
    PyObject *dict = PyThreadState_GetDict(), *key, *list;
    if (!dict) return 0;
    if (!(key = repr_key())) return -1;
    list = PyDict_GetItemWithError(dict, key);
    if (!list) {
        int status = -1;
        if (!PyErr_Occurred() && (list = PyList_New(0))) {
            status = PyDict_SetItem(dict, key, list);
            Py_DECREF(list);
        }
        if (status < 0) {
            Py_DECREF(key);
            return -1;
        }
    }
    Py_DECREF(key);
    for (Py_ssize_t i = PyList_GET_SIZE(list); i-- > 0;)
        if (PyList_GET_ITEM(list, i) == o) return 1;
    return PyList_Append(list, o);
}

void Py_ReprLeave(PyObject *o)
{
    PyObject *saved = PyErr_GetRaisedException();
    PyObject *dict = PyThreadState_GetDict(), *key = dict ? repr_key() : NULL;
    PyObject *list = key ? PyDict_GetItemWithError(dict, key) : NULL;
    if (list && PyList_Check(list)) {
        for (Py_ssize_t i = PyList_GET_SIZE(list); i-- > 0;) {
            if (PyList_GET_ITEM(list, i) != o) continue;
            PyList_SetSlice(list, i, i + 1, NULL);
            break;
        }
    }
    Py_XDECREF(key);
    PyErr_SetRaisedException(saved);
}

/* ---- comparison, hash, truth ------------------------------------------------------------------------------------------------ */

static const char *const operator_texts[] = { "<", "<=", "==", "!=", ">", ">=" };
static const int swapped[] = { Py_GT, Py_GE, Py_EQ, Py_NE, Py_LT, Py_LE };
PyAPI_DATA(int) _Py_SwappedOp[];
int _Py_SwappedOp[] = { Py_GT, Py_GE, Py_EQ, Py_NE, Py_LT, Py_LE };

static PyObject *richcompare(PyObject *v, PyObject *w, int op)
{
    PyObject *result;
    richcmpfunc f;
    bool tried_reflected = false;
    if (!Py_IS_TYPE(v, Py_TYPE(w)) && PyType_IsSubtype(Py_TYPE(w), Py_TYPE(v)) && (f = Py_TYPE(w)->tp_richcompare)) {
        tried_reflected = true;                              /* the more special class goes first */
        if ((result = f(w, v, swapped[op])) != Py_NotImplemented) return result;
    }
    if ((f = Py_TYPE(v)->tp_richcompare) && (result = f(v, w, op)) != Py_NotImplemented) return result;
    if (!tried_reflected && (f = Py_TYPE(w)->tp_richcompare) && (result = f(w, v, swapped[op])) != Py_NotImplemented) return result;
    switch (op) {
    case Py_EQ: return Py_NewRef(v == w ? Py_True : Py_False);
    case Py_NE: return Py_NewRef(v != w ? Py_True : Py_False);
    default:
        PyErr_Format(PyExc_TypeError, "'%s' not supported between instances of '%.100s' and '%.100s'", operator_texts[op],
                     Py_TYPE(v)->tp_name, Py_TYPE(w)->tp_name);
        return NULL;
    }
}

PyObject *PyObject_RichCompare(PyObject *v, PyObject *w, int op)
{
    assert(op >= Py_LT && op <= Py_GE);
    if (!v || !w) {
        if (!PyErr_Occurred()) PyErr_BadInternalCall();
        return NULL;
    }
    if (Py_TYPE(v) == Py_TYPE(w) && type_compares_simply(Py_TYPE(v))) return Py_TYPE(v)->tp_richcompare(v, w, op);
    Thread *t = thread_get();
    if (c_call_enter(t, " in comparison")) return NULL;
    PyObject *result = richcompare(v, w, op);
    c_call_leave(t);
    return result;
}

int PyObject_RichCompareBool(PyObject *v, PyObject *w, int op)
{
    if (v == w) {                                            /* identity implies equality */
        if (op == Py_EQ) return 1;
        if (op == Py_NE) return 0;
    }
    if (op == Py_EQ && v && w) {
        int equal = simple_equal(v, w);
        if (equal >= 0) return equal;
    }
    else if (v && w && PyLong_CheckExact(v) && PyLong_CheckExact(w) && long_both_compact((PyLongObject *)v, (PyLongObject *)w)) {
        int64_t x = long_compact_value((PyLongObject *)v), y = long_compact_value((PyLongObject *)w);
        switch (op) {
        case Py_LT: return x < y;
        case Py_LE: return x <= y;
        case Py_GT: return x > y;
        case Py_GE: return x >= y;
        }
    }
    PyObject *result = PyObject_RichCompare(v, w, op);
    if (!result) return -1;
    int truth = PyBool_Check(result) ? result == Py_True : PyObject_IsTrue(result);
    Py_DECREF(result);
    return truth;
}

Py_hash_t PyObject_HashNotImplemented(PyObject *o)
{
    PyErr_Format(PyExc_TypeError, "unhashable type: '%.200s'", Py_TYPE(o)->tp_name);
    return -1;
}

Py_hash_t PyObject_Hash(PyObject *o)
{
    PyTypeObject *type = Py_TYPE(o);
    if (LIKELY(type->tp_hash != NULL)) return type->tp_hash(o);
    if (!type->tp_dict) {                                    /* a static type used before it is ready */
        if (PyType_Ready(type) < 0) return -1;
        if (type->tp_hash) return type->tp_hash(o);
    }
    return PyObject_HashNotImplemented(o);
}

int PyObject_IsTrue(PyObject *o)
{
    if (o == Py_True) return 1;
    if (o == Py_False || o == Py_None) return 0;
    PyTypeObject *type = Py_TYPE(o);
    Py_ssize_t r;
    if (type->tp_as_number && type->tp_as_number->nb_bool) r = type->tp_as_number->nb_bool(o);
    else if (type->tp_as_mapping && type->tp_as_mapping->mp_length) r = type->tp_as_mapping->mp_length(o);
    else if (type->tp_as_sequence && type->tp_as_sequence->sq_length) r = type->tp_as_sequence->sq_length(o);
    else return 1;
    return r > 0 ? 1 : (int)r;
}

int PyObject_Not(PyObject *o)
{
    int r = PyObject_IsTrue(o);
    return r < 0 ? r : !r;
}

int PyCallable_Check(PyObject *o) { return o && Py_TYPE(o)->tp_call != NULL; }

/* ---- dir ---------------------------------------------------------------------------------------------------------------------- */

static PyObject *dir_locals(void)
{
    PyObject *locals = PyEval_GetFrameLocals(), *names;
    if (!locals) return NULL;
    names = PyMapping_Keys(locals);
    Py_DECREF(locals);
    if (!names) return NULL;
    if (PyList_Sort(names) < 0) Py_CLEAR(names);
    return names;
}

PyObject *PyObject_Dir(PyObject *o)
{
    if (!o) return dir_locals();
    PyObject *method = type_lookup_special_bound(o, STR(__dir__)), *result, *list;
    if (!method) {
        if (!PyErr_Occurred()) PyErr_SetString(PyExc_TypeError, "object does not provide __dir__");
        return NULL;
    }
    result = PyObject_CallNoArgs(method);
    Py_DECREF(method);
    if (!result) return NULL;
    list = PySequence_List(result);
    Py_DECREF(result);
    if (list && PyList_Sort(list) < 0) Py_CLEAR(list);
    return list;
}

/* ---- finalisers ------------------------------------------------------------------------------------------------------------------ */

void PyObject_CallFinalizer(PyObject *o)
{
    PyTypeObject *type = Py_TYPE(o);
    if (!type->tp_finalize) return;
    bool collectable = type->tp_flags & Py_TPFLAGS_HAVE_GC && PyObject_IS_GC(o);
    if (collectable && gc_is_finalized(o)) return;           /* once only (PEP 442) */
    type->tp_finalize(o);
    if (collectable) gc_set_finalized(o);
}

/* 0: go on destroying; -1: the finaliser made a new reference. */
int PyObject_CallFinalizerFromDealloc(PyObject *o)
{
    if (Py_REFCNT(o) != 0) _PyObject_AssertFailed(o, "ob_refcnt == 0", "PyObject_CallFinalizerFromDealloc called on object with a "
                                                  "non-zero refcount", __FILE__, __LINE__, __func__);
    o->ob_refcnt = 1;
    PyObject_CallFinalizer(o);
    if (--o->ob_refcnt == 0) return 0;
    return -1;
}
