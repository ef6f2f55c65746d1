/* BaseException, the exceptions that add nothing to it, and the table that makes all of them ready.
 *
 * Those with fields of their own: exceptions_group.c, exceptions_os.c, exceptions_unicode.c, exceptions_special.c. An instance
 * always has args (a tuple); context and cause are NULL or exceptions, notes lives in the __dict__ as __notes__. */
#include "objects/exceptions_private.h"

/* type's name without its module. */
static const char *exception_short_name(PyTypeObject *type)
{
    const char *dot = strrchr(type->tp_name, '.');
    return dot ? dot + 1 : type->tp_name;
}

int exception_no_keywords(PyTypeObject *type, PyObject *kwargs) { return refuse_keywords(type->tp_name, kwargs); }

/* ---- life -------------------------------------------------------------------------------------------------------------- */

/* An instance with all fields NULL. The built-in types have neither a prefix nor anything else to ask for. */
static PyObject *exception_alloc(PyTypeObject *type)
{
    if (type->tp_flags & Py_TPFLAGS_HEAPTYPE) return type->tp_alloc(type, 0);
    Thread *t = thread_get();
    PyObject *self = gc_alloc(t, type, (size_t)type->tp_basicsize, 0);
    if (!self) return NULL;
    memset(self + 1, 0, (size_t)type->tp_basicsize - sizeof(PyObject));
    gc_track(t, self);
    return self;
}

PyObject *exception_new(PyTypeObject *type, PyObject *args, PyObject *Py_UNUSED(kwargs))
{
    PyObject *self = exception_alloc(type);
    if (!self) return NULL;
    BASE(self)->args = Py_NewRef(args ? args : EMPTY_TUPLE);
    return self;
}

/* Only set for types whose tp_new and tp_init are those of BaseException; subclasses do not inherit it. */
PyObject *exception_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    PyTypeObject *t = (PyTypeObject *)type;
    if (kwnames && PyTuple_GET_SIZE(kwnames)) {
        PyErr_Format(PyExc_TypeError, "%.200s() takes no keyword arguments", t->tp_name);
        return NULL;
    }
    PyObject *self = exception_alloc(t);
    if (!self) return NULL;
    if (!(BASE(self)->args = tuple_from_array(args, PyVectorcall_NARGS(nargsf)))) Py_CLEAR(self);
    return self;
}

int exception_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    if (exception_no_keywords(Py_TYPE(self), kwargs) < 0) return -1;
    SET_FIELD(BASE(self)->args, Py_NewRef(args));
    return 0;
}

int exception_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(BASE(self)->dict);
    Py_VISIT(BASE(self)->args);
    Py_VISIT(BASE(self)->notes);
    Py_VISIT(BASE(self)->traceback);
    Py_VISIT(BASE(self)->cause);
    Py_VISIT(BASE(self)->context);
    return 0;
}

int exception_clear(PyObject *self)
{
    Py_CLEAR(BASE(self)->dict);
    Py_CLEAR(BASE(self)->args);
    Py_CLEAR(BASE(self)->notes);
    Py_CLEAR(BASE(self)->traceback);
    Py_CLEAR(BASE(self)->cause);
    Py_CLEAR(BASE(self)->context);
    return 0;
}

/* Types with more fields set tp_clear; this releases what that clears. Chains of contexts may be long: hence the trashcan. */
void exception_dealloc(PyObject *self)
{
    Thread *t = thread_get();
    if (gc_is_tracked(self)) gc_untrack(t, self);
    PyTypeObject *type = Py_TYPE(self);
    if (LIKELY(!(type->tp_flags & Py_TPFLAGS_HEAPTYPE))) {
        type->tp_clear(self);
        gc_free(t, self, 0);
    }
    else {
        PyTypeObject *base = type;                         /* a Python class clears its own part itself */
        while (base->tp_flags & Py_TPFLAGS_HEAPTYPE) base = base->tp_base;
        base->tp_clear(self);
        type->tp_free(self);
    }
}

/* ---- text ---------------------------------------------------------------------------------------------------------------- */

PyObject *exception_str(PyObject *self)
{
    PyObject *args = BASE(self)->args;
    Py_ssize_t n = PyTuple_GET_SIZE(args);
    if (n == 0) return PyUnicode_FromString("");
    return PyObject_Str(n == 1 ? PyTuple_GET_ITEM(args, 0) : args);
}

static PyObject *exception_repr(PyObject *self)
{
    const char *name = exception_short_name(Py_TYPE(self));
    PyObject *args = BASE(self)->args;
    if (PyTuple_GET_SIZE(args) == 1) return PyUnicode_FromFormat("%s(%R)", name, PyTuple_GET_ITEM(args, 0));
    return PyUnicode_FromFormat("%s%R", name, args);
}

/* ---- methods --------------------------------------------------------------------------------------------------------------- */

static PyObject *exception_reduce(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    if (BASE(self)->args && BASE(self)->dict) return PyTuple_Pack(3, Py_TYPE(self), BASE(self)->args, BASE(self)->dict);
    return PyTuple_Pack(2, Py_TYPE(self), BASE(self)->args);
}

BUILTIN_O(exception, __setstate__, "($self, object, /)", "Set the attributes that the state, a dict, names.")
{
    PyObject *key, *value;
    Py_ssize_t at = 0;
    if (arg == Py_None) Py_RETURN_NONE;
    if (!PyDict_Check(arg)) {
        PyErr_SetString(PyExc_TypeError, "state is not a dictionary");
        return NULL;
    }
    while (PyDict_Next(arg, &at, &key, &value)) {
        Py_INCREF(key);
        Py_INCREF(value);
        int status = PyObject_SetAttr(self, key, value);
        Py_DECREF(value);
        Py_DECREF(key);
        if (status < 0) return NULL;
    }
    Py_RETURN_NONE;
}

BUILTIN_O(exception, with_traceback, "($self, object, /)", "Set self.__traceback__ to tb and return self.")
{
    return PyException_SetTraceback(self, arg) < 0 ? NULL : Py_NewRef(self);
}

BUILTIN_O(exception, add_note, "($self, object, /)", "Add a note to the exception")
{
    PyObject *notes;
    if (!PyUnicode_Check(arg)) {
        PyErr_Format(PyExc_TypeError, "note must be a str, not '%s'", Py_TYPE(arg)->tp_name);
        return NULL;
    }
    if (PyObject_GetOptionalAttr(self, STR(__notes__), &notes) < 0) return NULL;
    if (!notes) {
        if (!(notes = PyList_New(0))) return NULL;
        if (PyObject_SetAttr(self, STR(__notes__), notes) < 0) goto fail;
    }
    else if (!PyList_Check(notes)) {
        PyErr_SetString(PyExc_TypeError, "Cannot add note: __notes__ is not a list");
        goto fail;
    }
    if (PyList_Append(notes, arg) < 0) goto fail;
    Py_DECREF(notes);
    Py_RETURN_NONE;
fail:
    Py_DECREF(notes);
    return NULL;
}

static PyMethodDef exception_methods[] = {
    { "__reduce__", exception_reduce, METH_NOARGS, "__reduce__($self, /)\n--\n\nType, arguments and state for pickling." },
    METHOD_UNDOCUMENTED(exception, __setstate__), METHOD(exception, with_traceback), METHOD(exception, add_note), { 0 },
};

/* ---- attributes ------------------------------------------------------------------------------------------------------------ */

static PyObject *get_or_none(PyObject *value) { return Py_NewRef(value ? value : Py_None); }

static int refuse_delete(const char *name)
{
    PyErr_Format(PyExc_TypeError, "%s may not be deleted", name);
    return -1;
}

static PyObject *exception_get_args(PyObject *self, void *Py_UNUSED(c)) { return get_or_none(BASE(self)->args); }
static int exception_set_args(PyObject *self, PyObject *value, void *Py_UNUSED(c))
{
    if (!value) return refuse_delete("args");
    PyObject *args = PySequence_Tuple(value);
    if (!args) return -1;
    SET_FIELD(BASE(self)->args, args);
    return 0;
}

static PyObject *exception_get_traceback(PyObject *self, void *Py_UNUSED(c)) { return get_or_none(BASE(self)->traceback); }
static int exception_set_traceback(PyObject *self, PyObject *value, void *Py_UNUSED(c))
{
    return value ? PyException_SetTraceback(self, value) : refuse_delete("__traceback__");
}

/* The new value of __context__ or __cause__: a reference to steal in *value, NULL for None. */
static int check_link(const char *attribute, const char *what, PyObject **value)
{
    if (!*value) return refuse_delete(attribute);
    if (*value == Py_None) *value = NULL;
    else if (PyExceptionInstance_Check(*value)) Py_INCREF(*value);
    else {
        PyErr_Format(PyExc_TypeError, "exception %s must be None or derive from BaseException", what);
        return -1;
    }
    return 0;
}

static PyObject *exception_get_context(PyObject *self, void *Py_UNUSED(c)) { return get_or_none(BASE(self)->context); }
static int exception_set_context(PyObject *self, PyObject *value, void *Py_UNUSED(c))
{
    if (check_link("__context__", "context", &value) < 0) return -1;
    PyException_SetContext(self, value);
    return 0;
}

static PyObject *exception_get_cause(PyObject *self, void *Py_UNUSED(c)) { return get_or_none(BASE(self)->cause); }
static int exception_set_cause(PyObject *self, PyObject *value, void *Py_UNUSED(c))
{
    if (check_link("__cause__", "cause", &value) < 0) return -1;
    PyException_SetCause(self, value);
    return 0;
}

static PyGetSetDef exception_getset[] = {
    { "__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, NULL, NULL },
    { "args", exception_get_args, exception_set_args, NULL, NULL },
    { "__traceback__", exception_get_traceback, exception_set_traceback, NULL, NULL },
    { "__context__", exception_get_context, exception_set_context, "exception context", NULL },
    { "__cause__", exception_get_cause, exception_set_cause, "exception cause", NULL },
    { 0 },
};

static PyMemberDef exception_members[] = {
    { "__suppress_context__", Py_T_BOOL, offsetof(PyBaseExceptionObject, suppress_context), 0, NULL },
    { 0 },
};

PyTypeObject exc_BaseException = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "BaseException",
    .tp_basicsize = sizeof(PyBaseExceptionObject),
    .tp_dealloc = exception_dealloc,
    .tp_repr = exception_repr,
    .tp_str = exception_str,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = EXCEPTION_FLAGS,
    .tp_doc = "Common base class for all exceptions",
    .tp_traverse = exception_traverse,
    .tp_clear = exception_clear,
    .tp_methods = exception_methods,
    .tp_members = exception_members,
    .tp_getset = exception_getset,
    .tp_dictoffset = offsetof(PyBaseExceptionObject, dict),
    .tp_init = exception_init,
    .tp_new = exception_new,
    .tp_vectorcall = exception_vectorcall,
};
PyObject *PyExc_BaseException = (PyObject *)&exc_BaseException;

/* ---- the C API of instances --------------------------------------------------------------------------------------------------- */

PyObject *PyException_GetTraceback(PyObject *self) { return Py_XNewRef(BASE(self)->traceback); }

int PyException_SetTraceback(PyObject *self, PyObject *traceback)
{
    if (!traceback) return refuse_delete("__traceback__");
    if (!PyTraceBack_Check(traceback) && traceback != Py_None) {
        PyErr_SetString(PyExc_TypeError, "__traceback__ must be a traceback or None");
        return -1;
    }
    SET_FIELD(BASE(self)->traceback, traceback == Py_None ? NULL : Py_NewRef(traceback));
    return 0;
}

PyObject *PyException_GetCause(PyObject *self) { return Py_XNewRef(BASE(self)->cause); }

void PyException_SetCause(PyObject *self, PyObject *cause)         /* steals */
{
    BASE(self)->suppress_context = 1;
    SET_FIELD(BASE(self)->cause, cause);
}

PyObject *PyException_GetContext(PyObject *self) { return Py_XNewRef(BASE(self)->context); }
void PyException_SetContext(PyObject *self, PyObject *context) { SET_FIELD(BASE(self)->context, context); }     /* steals */
PyObject *PyException_GetArgs(PyObject *self) { return Py_NewRef(BASE(self)->args); }
void PyException_SetArgs(PyObject *self, PyObject *args) { SET_FIELD(BASE(self)->args, Py_NewRef(args)); }
const char *PyExceptionClass_Name(PyObject *type) { return ((PyTypeObject *)type)->tp_name; }

/* ---- the plain ones -------------------------------------------------------------------------------------------------------------- */

SIMPLE_EXCEPTION(Exception, exc_BaseException, "Common base class for all non-exit exceptions.")
SIMPLE_EXCEPTION(TypeError, exc_Exception, "Inappropriate argument type.")
SIMPLE_EXCEPTION(StopAsyncIteration, exc_Exception, "Signal the end from iterator.__anext__().")
SIMPLE_EXCEPTION(GeneratorExit, exc_BaseException, "Request that a generator exit.")
SIMPLE_EXCEPTION(KeyboardInterrupt, exc_BaseException, "Program interrupted by user.")
SIMPLE_EXCEPTION(EOFError, exc_Exception, "Read beyond end of file.")
SIMPLE_EXCEPTION(RuntimeError, exc_Exception, "Unspecified run-time error.")
SIMPLE_EXCEPTION(RecursionError, exc_RuntimeError, "Recursion limit exceeded.")
SIMPLE_EXCEPTION(NotImplementedError, exc_RuntimeError, "Method or function hasn't been implemented yet.")
SIMPLE_EXCEPTION(PythonFinalizationError, exc_RuntimeError, "Operation blocked during Python finalization.")
SIMPLE_EXCEPTION(AssertionError, exc_Exception, "Assertion failed.")
SIMPLE_EXCEPTION(ArithmeticError, exc_Exception, "Base class for arithmetic errors.")
SIMPLE_EXCEPTION(FloatingPointError, exc_ArithmeticError, "Floating-point operation failed.")
SIMPLE_EXCEPTION(OverflowError, exc_ArithmeticError, "Result too large to be represented.")
SIMPLE_EXCEPTION(ZeroDivisionError, exc_ArithmeticError, "Second argument to a division or modulo operation was zero.")
SIMPLE_EXCEPTION(LookupError, exc_Exception, "Base class for lookup errors.")
SIMPLE_EXCEPTION(IndexError, exc_LookupError, "Sequence index out of range.")
SIMPLE_EXCEPTION(ValueError, exc_Exception, "Inappropriate argument value (of correct type).")
SIMPLE_EXCEPTION(SystemError, exc_Exception,
                 "Internal error in the Python interpreter.\n\nPlease report this to the Python maintainer, along with the traceback,\n"
                 "the Python version, and the hardware/OS platform and version.")
SIMPLE_EXCEPTION(ReferenceError, exc_Exception, "Weak ref proxy used after referent went away.")
SIMPLE_EXCEPTION(BufferError, exc_Exception, "Buffer error.")
SIMPLE_EXCEPTION(Warning, exc_Exception, "Base class for warning categories.")
SIMPLE_EXCEPTION(UserWarning, exc_Warning, "Base class for warnings generated by user code.")
SIMPLE_EXCEPTION(DeprecationWarning, exc_Warning, "Base class for warnings about deprecated features.")
SIMPLE_EXCEPTION(PendingDeprecationWarning, exc_Warning,
                 "Base class for warnings about features which will be deprecated\nin the future.")
SIMPLE_EXCEPTION(SyntaxWarning, exc_Warning, "Base class for warnings about dubious syntax.")
SIMPLE_EXCEPTION(RuntimeWarning, exc_Warning, "Base class for warnings about dubious runtime behavior.")
SIMPLE_EXCEPTION(FutureWarning, exc_Warning,
                 "Base class for warnings about constructs that will change semantically\nin the future.")
SIMPLE_EXCEPTION(ImportWarning, exc_Warning, "Base class for warnings about probable mistakes in module imports")
SIMPLE_EXCEPTION(UnicodeWarning, exc_Warning,
                 "Base class for warnings about Unicode related problems, mostly\nrelated to conversion problems.")
SIMPLE_EXCEPTION(BytesWarning, exc_Warning,
                 "Base class for warnings about bytes and buffer related problems, mostly\nrelated to conversion from str or comparing to str.")
SIMPLE_EXCEPTION(EncodingWarning, exc_Warning, "Base class for warnings about encodings.")
SIMPLE_EXCEPTION(ResourceWarning, exc_Warning, "Base class for warnings about resource usage.")

/* ---- start ------------------------------------------------------------------------------------------------------------------------- */

/* Every static exception type, bases before what derives from them. */
#define EXCEPTION_TYPES(X) \
    X(BaseException) X(BaseExceptionGroup) X(Exception) X(GeneratorExit) X(KeyboardInterrupt) X(SystemExit) X(ArithmeticError) \
    X(AssertionError) X(AttributeError) X(BufferError) X(EOFError) X(ImportError) X(LookupError) X(MemoryError) X(NameError) \
    X(OSError) X(ReferenceError) X(RuntimeError) X(StopAsyncIteration) X(StopIteration) X(SyntaxError) X(SystemError) X(TypeError) \
    X(ValueError) X(Warning) X(FloatingPointError) X(OverflowError) X(ZeroDivisionError) X(BytesWarning) X(DeprecationWarning) \
    X(EncodingWarning) X(FutureWarning) X(ImportWarning) X(PendingDeprecationWarning) X(ResourceWarning) X(RuntimeWarning) \
    X(SyntaxWarning) X(UnicodeWarning) X(UserWarning) X(BlockingIOError) X(ChildProcessError) X(ConnectionError) X(FileExistsError) \
    X(FileNotFoundError) X(InterruptedError) X(IsADirectoryError) X(NotADirectoryError) X(PermissionError) X(ProcessLookupError) \
    X(TimeoutError) X(IndentationError) X(_IncompleteInputError) X(IndexError) X(KeyError) X(ModuleNotFoundError) \
    X(NotImplementedError) X(PythonFinalizationError) X(RecursionError) X(UnboundLocalError) X(UnicodeError) X(BrokenPipeError) \
    X(ConnectionAbortedError) X(ConnectionRefusedError) X(ConnectionResetError) X(TabError) X(UnicodeDecodeError) \
    X(UnicodeEncodeError) X(UnicodeTranslateError)

#define X(name) extern PyTypeObject exc_##name;
EXCEPTION_TYPES(X)
#undef X

static PyTypeObject *const exception_types[] = {
#define X(name) &exc_##name,
    EXCEPTION_TYPES(X)
#undef X
};

static const struct { int number; PyTypeObject *type; } errno_types[] = {
    { EAGAIN, &exc_BlockingIOError }, { EALREADY, &exc_BlockingIOError }, { EINPROGRESS, &exc_BlockingIOError },
    { EWOULDBLOCK, &exc_BlockingIOError }, { EPIPE, &exc_BrokenPipeError }, { ESHUTDOWN, &exc_BrokenPipeError },
    { ECHILD, &exc_ChildProcessError }, { ECONNABORTED, &exc_ConnectionAbortedError }, { ECONNREFUSED, &exc_ConnectionRefusedError },
    { ECONNRESET, &exc_ConnectionResetError }, { EEXIST, &exc_FileExistsError }, { ENOENT, &exc_FileNotFoundError },
    { EISDIR, &exc_IsADirectoryError }, { ENOTDIR, &exc_NotADirectoryError }, { EINTR, &exc_InterruptedError },
    { EACCES, &exc_PermissionError }, { EPERM, &exc_PermissionError }, { ESRCH, &exc_ProcessLookupError },
    { ETIMEDOUT, &exc_TimeoutError },
};

PyTypeObject *oserror_type_for(int number)
{
    for (size_t i = 0; i < ARRAY_LENGTH(errno_types); i++)
        if (errno_types[i].number == number) return errno_types[i].type;
    return NULL;
}

int exceptions_init(Interpreter *interp)
{
    ErrorState *state = &interp->objects.errors;
    for (size_t i = 0; i < ARRAY_LENGTH(exception_types); i++)
        if (PyType_Ready(exception_types[i]) < 0) return -1;
    PyObject *bases = PyTuple_Pack(2, PyExc_BaseExceptionGroup, PyExc_Exception);
    if (!bases) return -1;
    state->exception_group = PyErr_NewException("builtins.ExceptionGroup", bases, NULL);
    Py_DECREF(bases);
    if (!state->exception_group) return -1;
    state->last_memory_error = exception_new(&exc_MemoryError, EMPTY_TUPLE, NULL);
    return state->last_memory_error ? 0 : -1;
}

int exceptions_add_to_builtins(PyObject *builtins)
{
    Interpreter *interp = interp_get();
    for (size_t i = 0; i < ARRAY_LENGTH(exception_types); i++)
        if (PyDict_SetItemString(builtins, exception_types[i]->tp_name, OBJECT(exception_types[i])) < 0) return -1;
    if (PyDict_SetItemString(builtins, "ExceptionGroup", interp->objects.errors.exception_group) < 0) return -1;
    if (PyDict_SetItemString(builtins, "EnvironmentError", PyExc_OSError) < 0) return -1;
    return PyDict_SetItemString(builtins, "IOError", PyExc_OSError);
}
