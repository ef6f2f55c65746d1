/* The exceptions with fields of their own: StopIteration, SystemExit, KeyError (its text), MemoryError, ImportError, NameError,
 * AttributeError, SyntaxError. */
#include "objects/exceptions_private.h"

/* ---- StopIteration, SystemExit ------------------------------------------------------------------------------------------- */

/* Both have one field more; it is what the arguments say. */
#define VALUE(self) (((PyStopIterationObject *)(self))->value)
_Static_assert(offsetof(PyStopIterationObject, value) == offsetof(PySystemExitObject, code), "shared slots");

static int value_clear(PyObject *self)
{
    Py_CLEAR(VALUE(self));
    return exception_clear(self);
}

static int value_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(VALUE(self));
    return exception_traverse(self, visit, arg);
}

static int stopiteration_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    if (exception_init(self, args, kwargs) < 0) return -1;
    SET_FIELD(VALUE(self), Py_NewRef(PyTuple_GET_SIZE(args) ? PyTuple_GET_ITEM(args, 0) : Py_None));
    return 0;
}

static int systemexit_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    if (exception_init(self, args, kwargs) < 0) return -1;
    Py_ssize_t n = PyTuple_GET_SIZE(args);
    if (n) SET_FIELD(VALUE(self), Py_NewRef(n == 1 ? PyTuple_GET_ITEM(args, 0) : args));
    return 0;
}

static PyMemberDef stopiteration_members[] = {
    { "value", _Py_T_OBJECT, offsetof(PyStopIterationObject, value), 0, "generator return value" },
    { 0 },
};
static PyMemberDef systemexit_members[] = {
    { "code", _Py_T_OBJECT, offsetof(PySystemExitObject, code), 0, "exception code" },
    { 0 },
};

#define VALUE_SLOTS .tp_dealloc = exception_dealloc, .tp_traverse = value_traverse, .tp_clear = value_clear
SPECIAL_EXCEPTION(StopIteration, exc_Exception, PyStopIterationObject, "Signal the end from iterator.__next__().", VALUE_SLOTS,
                  .tp_members = stopiteration_members, .tp_init = stopiteration_init)
SPECIAL_EXCEPTION(SystemExit, exc_BaseException, PySystemExitObject, "Request to exit from the interpreter.", VALUE_SLOTS,
                  .tp_members = systemexit_members, .tp_init = systemexit_init)

/* ---- KeyError, MemoryError --------------------------------------------------------------------------------------------------- */

/* The repr of the key, so that KeyError('') says something. */
static PyObject *keyerror_str(PyObject *self)
{
    PyObject *args = BASE(self)->args;
    return PyTuple_GET_SIZE(args) == 1 ? PyObject_Repr(PyTuple_GET_ITEM(args, 0)) : exception_str(self);
}

#define PLAIN_SLOTS .tp_dealloc = exception_dealloc, .tp_traverse = exception_traverse, .tp_clear = exception_clear, \
                    .tp_init = exception_init
SPECIAL_EXCEPTION(KeyError, exc_LookupError, PyBaseExceptionObject, "Mapping key not found.", PLAIN_SLOTS, .tp_str = keyerror_str,
                  .tp_vectorcall = exception_vectorcall)
SPECIAL_EXCEPTION(MemoryError, exc_Exception, PyBaseExceptionObject, "Out of memory.", PLAIN_SLOTS,
                  .tp_new = exception_new)

/* ---- ImportError -------------------------------------------------------------------------------------------------------------- */

#define IMPORT(self) ((PyImportErrorObject *)(self))

static int importerror_clear(PyObject *self)
{
    Py_CLEAR(IMPORT(self)->msg);
    Py_CLEAR(IMPORT(self)->name);
    Py_CLEAR(IMPORT(self)->path);
    Py_CLEAR(IMPORT(self)->name_from);
    return exception_clear(self);
}

static int importerror_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(IMPORT(self)->msg);
    Py_VISIT(IMPORT(self)->name);
    Py_VISIT(IMPORT(self)->path);
    Py_VISIT(IMPORT(self)->name_from);
    return exception_traverse(self, visit, arg);
}

SIGNATURE(importerror_signature, "ImportError", KEYWORDS, "(*, name=None, path=None, name_from=None)");

static int importerror_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    PyObject *arg[3];
    if (exception_init(self, args, NULL) < 0 || args_bind_tuple(&importerror_signature, EMPTY_TUPLE, kwargs, arg) < 0) return -1;
    SET_FIELD(IMPORT(self)->name, Py_XNewRef(arg[0]));
    SET_FIELD(IMPORT(self)->path, Py_XNewRef(arg[1]));
    SET_FIELD(IMPORT(self)->name_from, Py_XNewRef(arg[2]));
    SET_FIELD(IMPORT(self)->msg, PyTuple_GET_SIZE(args) == 1 ? Py_NewRef(PyTuple_GET_ITEM(args, 0)) : NULL);
    return 0;
}

static PyObject *importerror_str(PyObject *self)
{
    PyObject *msg = IMPORT(self)->msg;
    return msg && PyUnicode_CheckExact(msg) ? Py_NewRef(msg) : exception_str(self);
}

/* A copy of the __dict__ with fields added that are not NULL; NULL without exception when there is nothing. */
static int state_with(PyObject *self, int n, const char *const *names, PyObject *const *values, PyObject **state)
{
    PyObject *dict = BASE(self)->dict;
    bool any = false;
    *state = NULL;
    for (int i = 0; i < n; i++) any = any || values[i];
    if (!any) {
        *state = Py_XNewRef(dict);
        return 0;
    }
    if (!(*state = dict ? PyDict_Copy(dict) : PyDict_New())) return -1;
    for (int i = 0; i < n; i++) {
        if (!values[i] || PyDict_SetItemString(*state, names[i], values[i]) == 0) continue;
        Py_CLEAR(*state);
        return -1;
    }
    return 0;
}

BUILTIN_NOARGS(importerror, __reduce__, "($self, /)", "Type, arguments and state for pickling.")
{
    static const char *const names[] = { "name", "path", "name_from" };
    PyObject *const values[] = { IMPORT(self)->name, IMPORT(self)->path, IMPORT(self)->name_from }, *state, *result;
    if (state_with(self, 3, names, values, &state) < 0) return NULL;
    result = state ? PyTuple_Pack(3, Py_TYPE(self), BASE(self)->args, state) : PyTuple_Pack(2, Py_TYPE(self), BASE(self)->args);
    Py_XDECREF(state);
    return result;
}

static PyMethodDef importerror_methods[] = { METHOD_UNDOCUMENTED(importerror, __reduce__), { 0 } };

static PyMemberDef importerror_members[] = {
    { "msg", _Py_T_OBJECT, offsetof(PyImportErrorObject, msg), 0, "exception message" },
    { "name", _Py_T_OBJECT, offsetof(PyImportErrorObject, name), 0, "module name" },
    { "path", _Py_T_OBJECT, offsetof(PyImportErrorObject, path), 0, "module path" },
    { "name_from", _Py_T_OBJECT, offsetof(PyImportErrorObject, name_from), 0, "name imported from module" },
    { 0 },
};

#define IMPORT_SLOTS .tp_dealloc = exception_dealloc, .tp_traverse = importerror_traverse, .tp_clear = importerror_clear, \
                     .tp_init = importerror_init
SPECIAL_EXCEPTION(ImportError, exc_Exception, PyImportErrorObject, "Import can't find module, or can't find name in module.",
                  IMPORT_SLOTS, .tp_str = importerror_str, .tp_methods = importerror_methods, .tp_members = importerror_members)
SPECIAL_EXCEPTION(ModuleNotFoundError, exc_ImportError, PyImportErrorObject, "Module not found.", IMPORT_SLOTS)

/* ---- NameError, AttributeError ---------------------------------------------------------------------------------------------------- */

#define NAME_OF(self) (((PyNameErrorObject *)(self))->name)
#define ATTRIBUTE(self) ((PyAttributeErrorObject *)(self))

static int nameerror_clear(PyObject *self)
{
    Py_CLEAR(NAME_OF(self));
    return exception_clear(self);
}

static int nameerror_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(NAME_OF(self));
    return exception_traverse(self, visit, arg);
}

SIGNATURE(nameerror_signature, "NameError", KEYWORDS, "(*, name=None)");

static int nameerror_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    PyObject *arg[1];
    if (exception_init(self, args, NULL) < 0 || args_bind_tuple(&nameerror_signature, EMPTY_TUPLE, kwargs, arg) < 0) return -1;
    SET_FIELD(NAME_OF(self), Py_XNewRef(arg[0]));
    return 0;
}

static PyMemberDef nameerror_members[] = {
    { "name", _Py_T_OBJECT, offsetof(PyNameErrorObject, name), 0, "name" },
    { 0 },
};

#define NAME_SLOTS .tp_dealloc = exception_dealloc, .tp_traverse = nameerror_traverse, .tp_clear = nameerror_clear, \
                   .tp_init = nameerror_init
SPECIAL_EXCEPTION(NameError, exc_Exception, PyNameErrorObject, "Name not found globally.", NAME_SLOTS, .tp_str = exception_str,
                  .tp_members = nameerror_members)
SPECIAL_EXCEPTION(UnboundLocalError, exc_NameError, PyNameErrorObject, "Local name referenced but not bound to a value.", NAME_SLOTS)

static int attributeerror_clear(PyObject *self)
{
    Py_CLEAR(ATTRIBUTE(self)->obj);
    Py_CLEAR(ATTRIBUTE(self)->name);
    return exception_clear(self);
}

static int attributeerror_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(ATTRIBUTE(self)->obj);
    Py_VISIT(ATTRIBUTE(self)->name);
    return exception_traverse(self, visit, arg);
}

SIGNATURE(attributeerror_signature, "AttributeError", KEYWORDS, "(*, name=None, obj=None)");

static int attributeerror_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    PyObject *arg[2];
    if (exception_init(self, args, NULL) < 0 || args_bind_tuple(&attributeerror_signature, EMPTY_TUPLE, kwargs, arg) < 0) return -1;
    SET_FIELD(ATTRIBUTE(self)->name, Py_XNewRef(arg[0]));
    SET_FIELD(ATTRIBUTE(self)->obj, Py_XNewRef(arg[1]));
    return 0;
}

/* obj is left out: it may not be picklable. */
BUILTIN_NOARGS(attributeerror, __getstate__, "($self, /)", "The state for pickling, without the object.")
{
    static const char *const names[] = { "name", "args" };
    PyObject *const values[] = { ATTRIBUTE(self)->name, BASE(self)->args }, *state;
    if (state_with(self, 2, names, values, &state) < 0) return NULL;
    return state ? state : Py_NewRef(Py_None);
}

BUILTIN_NOARGS(attributeerror, __reduce__, "($self, /)", "Type, arguments and state for pickling.")
{
    PyObject *state = attributeerror___getstate__(self, NULL);
    if (!state) return NULL;
    PyObject *result = PyTuple_Pack(3, Py_TYPE(self), BASE(self)->args, state);
    Py_DECREF(state);
    return result;
}

static PyMethodDef attributeerror_methods[] = { METHOD_UNDOCUMENTED(attributeerror, __getstate__), METHOD_UNDOCUMENTED(attributeerror, __reduce__), { 0 } };

static PyMemberDef attributeerror_members[] = {
    { "name", _Py_T_OBJECT, offsetof(PyAttributeErrorObject, name), 0, "attribute name" },
    { "obj", _Py_T_OBJECT, offsetof(PyAttributeErrorObject, obj), 0, "object" },
    { 0 },
};

SPECIAL_EXCEPTION(AttributeError, exc_Exception, PyAttributeErrorObject, "Attribute not found.", .tp_dealloc = exception_dealloc,
                  .tp_traverse = attributeerror_traverse, .tp_clear = attributeerror_clear, .tp_init = attributeerror_init,
                  .tp_str = exception_str, .tp_methods = attributeerror_methods, .tp_members = attributeerror_members)

/* ---- SyntaxError ---------------------------------------------------------------------------------------------------------------------- */

#define SYNTAX(self) ((PySyntaxErrorObject *)(self))
enum { SYNTAX_FIELDS = 8 };
static inline PyObject **syntax_fields(PyObject *self) { return &SYNTAX(self)->msg; }
_Static_assert(offsetof(PySyntaxErrorObject, print_file_and_line) ==
               offsetof(PySyntaxErrorObject, msg) + (SYNTAX_FIELDS - 1) * sizeof(PyObject *), "the fields are an array");

static int syntaxerror_clear(PyObject *self)
{
    for (int i = 0; i < SYNTAX_FIELDS; i++) Py_CLEAR(syntax_fields(self)[i]);
    return exception_clear(self);
}

static int syntaxerror_traverse(PyObject *self, visitproc visit, void *arg)
{
    for (int i = 0; i < SYNTAX_FIELDS; i++) Py_VISIT(syntax_fields(self)[i]);
    return exception_traverse(self, visit, arg);
}

/* SyntaxError(msg, (filename, lineno, offset, text[, end_lineno, end_offset])) */
static int syntaxerror_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    Py_ssize_t n = PyTuple_GET_SIZE(args);
    PyObject *filename, *lineno, *offset, *text, *end_lineno = NULL, *end_offset = NULL;
    if (exception_init(self, args, kwargs) < 0) return -1;
    if (n >= 1) SET_FIELD(SYNTAX(self)->msg, Py_NewRef(PyTuple_GET_ITEM(args, 0)));
    if (n != 2) return 0;
    PyObject *info = PySequence_Tuple(PyTuple_GET_ITEM(args, 1));
    if (!info) return -1;
    int ok = PyArg_ParseTuple(info, "OOOO|OO", &filename, &lineno, &offset, &text, &end_lineno, &end_offset);
    if (ok) {
        SET_FIELD(SYNTAX(self)->filename, Py_NewRef(filename));
        SET_FIELD(SYNTAX(self)->lineno, Py_NewRef(lineno));
        SET_FIELD(SYNTAX(self)->offset, Py_NewRef(offset));
        SET_FIELD(SYNTAX(self)->text, Py_NewRef(text));
        SET_FIELD(SYNTAX(self)->end_lineno, Py_XNewRef(end_lineno));
        SET_FIELD(SYNTAX(self)->end_offset, Py_XNewRef(end_offset));
        if (end_lineno && !end_offset) {
            PyErr_SetString(PyExc_TypeError, "end_offset must be provided when end_lineno is provided");
            ok = 0;
        }
    }
    Py_DECREF(info);
    return ok ? 0 : -1;
}

/* The part of a path behind the last slash. */
static PyObject *base_name(PyObject *path)
{
    Py_ssize_t n = PyUnicode_GET_LENGTH(path), at = PyUnicode_FindChar(path, '/', 0, n, -1);
    if (at == -2) return NULL;
    return at < 0 ? Py_NewRef(path) : PyUnicode_Substring(path, at + 1, n);
}

static PyObject *syntaxerror_str(PyObject *self)
{
    PySyntaxErrorObject *e = SYNTAX(self);
    PyObject *message = e->msg ? e->msg : Py_None, *name, *result;
    bool has_line = e->lineno && PyLong_CheckExact(e->lineno);
    int overflow = 0;
    long line = has_line ? PyLong_AsLongAndOverflow(e->lineno, &overflow) : 0;
    if (!e->filename || !PyUnicode_Check(e->filename)) {
        if (!has_line) return PyObject_Str(message);
        return PyUnicode_FromFormat("%S (line %ld)", message, line);
    }
    if (!(name = base_name(e->filename))) return NULL;
    result = has_line ? PyUnicode_FromFormat("%S (%U, line %ld)", message, name, line) : PyUnicode_FromFormat("%S (%U)", message, name);
    Py_DECREF(name);
    return result;
}

#define SYNTAX_MEMBER(name, text) { #name, _Py_T_OBJECT, offsetof(PySyntaxErrorObject, name), 0, text }
static PyMemberDef syntaxerror_members[] = {
    SYNTAX_MEMBER(msg, "exception msg"), SYNTAX_MEMBER(filename, "exception filename"), SYNTAX_MEMBER(lineno, "exception lineno"),
    SYNTAX_MEMBER(offset, "exception offset"), SYNTAX_MEMBER(text, "exception text"),
    SYNTAX_MEMBER(end_lineno, "exception end lineno"), SYNTAX_MEMBER(end_offset, "exception end offset"),
    SYNTAX_MEMBER(print_file_and_line, "exception print_file_and_line"), { 0 },
};

#define SYNTAX_SLOTS .tp_dealloc = exception_dealloc, .tp_traverse = syntaxerror_traverse, .tp_clear = syntaxerror_clear, \
                     .tp_init = syntaxerror_init
SPECIAL_EXCEPTION(SyntaxError, exc_Exception, PySyntaxErrorObject, "Invalid syntax.", SYNTAX_SLOTS, .tp_str = syntaxerror_str,
                  .tp_members = syntaxerror_members)
SPECIAL_EXCEPTION(IndentationError, exc_SyntaxError, PySyntaxErrorObject, "Improper indentation.", SYNTAX_SLOTS)
SPECIAL_EXCEPTION(TabError, exc_IndentationError, PySyntaxErrorObject, "Improper mixture of spaces and tabs.", SYNTAX_SLOTS)
SPECIAL_EXCEPTION(_IncompleteInputError, exc_SyntaxError, PySyntaxErrorObject, "incomplete input.", SYNTAX_SLOTS)
