/* BaseExceptionGroup: several exceptions as one; split, subgroup, derive, and what except* needs. ExceptionGroup is made at start,
 * as a class with two bases. */
#include "objects/exceptions_private.h"

#define GROUP(self) ((PyBaseExceptionGroupObject *)(self))
#define IS_GROUP(o) PyObject_TypeCheck(o, &exc_BaseExceptionGroup)

/* ---- construction -------------------------------------------------------------------------------------------------------- */

/* The items: exceptions all, and whether one is not an Exception. */
static int check_items(PyObject *excs, bool *nested_base)
{
    Py_ssize_t n = PyTuple_GET_SIZE(excs);
    *nested_base = false;
    if (n == 0) {
        PyErr_SetString(PyExc_ValueError, "second argument (exceptions) must be a non-empty sequence");
        return -1;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *exc = PyTuple_GET_ITEM(excs, i);
        if (!PyExceptionInstance_Check(exc)) {
            PyErr_Format(PyExc_ValueError, "Item %zd of second argument (exceptions) is not an exception", i);
            return -1;
        }
        int plain = PyObject_IsInstance(exc, PyExc_Exception);
        if (plain < 0) return -1;
        if (!plain) *nested_base = true;
    }
    return 0;
}

static PyObject *group_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *message, *sequence, *excs;
    PyTypeObject *plain_group = (PyTypeObject *)interp_get()->objects.errors.exception_group;
    bool nested_base;
    if (!PyArg_ParseTuple(args, "UO:BaseExceptionGroup.__new__", &message, &sequence)) return NULL;
    if (!PySequence_Check(sequence)) {
        PyErr_SetString(PyExc_TypeError, "second argument (exceptions) must be a sequence");
        return NULL;
    }
    if (!(excs = PySequence_Tuple(sequence))) return NULL;
    if (check_items(excs, &nested_base) < 0) goto fail;
    if (type == &exc_BaseExceptionGroup) {
        if (!nested_base) type = plain_group;              /* all are Exceptions: so is the group */
    }
    else if (type == plain_group) {
        if (nested_base) {
            PyErr_SetString(PyExc_TypeError, "Cannot nest BaseExceptions in an ExceptionGroup");
            goto fail;
        }
    }
    else if (nested_base) {
        int derived = PyObject_IsSubclass(OBJECT(type), PyExc_Exception);
        if (derived < 0) goto fail;
        if (derived) {
            PyErr_Format(PyExc_TypeError, "Cannot nest BaseExceptions in '%.200s'", type->tp_name);
            goto fail;
        }
    }
    PyObject *self = exception_new(type, args, kwargs);
    if (!self) goto fail;
    GROUP(self)->msg = Py_NewRef(message);
    GROUP(self)->excs = excs;
    return self;
fail:
    Py_DECREF(excs);
    return NULL;
}

static int group_clear(PyObject *self)
{
    Py_CLEAR(GROUP(self)->msg);
    Py_CLEAR(GROUP(self)->excs);
    return exception_clear(self);
}

static int group_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(GROUP(self)->msg);
    Py_VISIT(GROUP(self)->excs);
    return exception_traverse(self, visit, arg);
}

static PyObject *group_str(PyObject *self)
{
    Py_ssize_t n = PyTuple_GET_SIZE(GROUP(self)->excs);
    return PyUnicode_FromFormat("%S (%zd sub-exception%s)", GROUP(self)->msg, n, n == 1 ? "" : "s");
}

/* ---- parts of a group ------------------------------------------------------------------------------------------------------ */

/* Gives to what derive() made the traceback, context, cause and notes of orig. */
static int copy_metadata(PyObject *group, PyObject *orig)
{
    PyObject *traceback = PyException_GetTraceback(orig), *notes;
    if (traceback) {
        int status = PyException_SetTraceback(group, traceback);
        Py_DECREF(traceback);
        if (status < 0) return -1;
    }
    PyException_SetContext(group, PyException_GetContext(orig));
    PyException_SetCause(group, PyException_GetCause(orig));
    if (PyObject_GetOptionalAttr(orig, STR(__notes__), &notes) < 0) return -1;
    if (!notes) return 0;
    int status = 0;
    if (PySequence_Check(notes)) {                         /* a copy: the parts may get notes of their own */
        PyObject *copy = PySequence_List(notes);
        status = copy ? PyObject_SetAttr(group, STR(__notes__), copy) : -1;
        Py_XDECREF(copy);
    }
    Py_DECREF(notes);                                      /* anything else in __notes__ is ignored */
    return status;
}

/* orig.derive(excs) with orig's metadata; *result is NULL for an empty list. */
static int group_subset(PyObject *orig, PyObject *excs, PyObject **result)
{
    *result = NULL;
    if (PySequence_Size(excs) == 0) return 0;
    PyObject *group = PyObject_CallMethod(orig, "derive", "(O)", excs);
    if (!group) return -1;
    if (!IS_GROUP(group)) {
        PyErr_SetString(PyExc_TypeError, "derive must return an instance of BaseExceptionGroup");
        goto fail;
    }
    if (copy_metadata(group, orig) < 0) goto fail;
    *result = group;
    return 0;
fail:
    Py_DECREF(group);
    return -1;
}

typedef enum { BY_TYPE, BY_PREDICATE, BY_IDENTITY } MatchKind;

static int matcher_kind(PyObject *matcher, MatchKind *kind)
{
    bool types = PyExceptionClass_Check(matcher);
    if (PyTuple_CheckExact(matcher)) {
        types = true;
        for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(matcher) && types; i++)
            types = PyExceptionClass_Check(PyTuple_GET_ITEM(matcher, i));
    }
    if (types) *kind = BY_TYPE;
    else if (PyCallable_Check(matcher) && !PyType_Check(matcher)) *kind = BY_PREDICATE;
    else {
        PyErr_SetString(PyExc_TypeError,
                        "expected an exception type, a tuple of exception types, or a callable (other than a class)");
        return -1;
    }
    return 0;
}

static int exception_matches(PyObject *exc, MatchKind kind, PyObject *matcher)
{
    switch (kind) {
    case BY_TYPE: return PyErr_GivenExceptionMatches(exc, matcher);
    case BY_PREDICATE: {
        PyObject *result = PyObject_CallOneArg(matcher, exc);
        int truth = result ? PyObject_IsTrue(result) : -1;
        Py_XDECREF(result);
        return truth;
    }
    case BY_IDENTITY: {                                    /* matcher is a set of addresses; groups themselves never match */
        if (IS_GROUP(exc)) return 0;
        PyObject *id = PyLong_FromVoidPtr(exc);
        int found = id ? PySet_Contains(matcher, id) : -1;
        Py_XDECREF(id);
        return found;
    }
    }
    Py_UNREACHABLE();
}

typedef struct Split { PyObject *match, *rest; } Split;

/* Divides exc; with want_rest false rest stays NULL. New references, NULL for an empty part. */
static int group_split_into(PyObject *exc, MatchKind kind, PyObject *matcher, bool want_rest, Split *out)
{
    out->match = out->rest = NULL;
    int is_match = exception_matches(exc, kind, matcher);
    if (is_match < 0) return -1;
    if (is_match) {
        out->match = Py_NewRef(exc);
        return 0;
    }
    if (!IS_GROUP(exc)) {
        if (want_rest) out->rest = Py_NewRef(exc);
        return 0;
    }
    if (Py_EnterRecursiveCall(" in exceptiongroup_split_recursive")) return -1;
    int status = -1;
    PyObject *excs = Py_NewRef(GROUP(exc)->excs), *matches = PyList_New(0), *rests = want_rest ? PyList_New(0) : NULL;
    if (!matches || (want_rest && !rests)) goto done;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(excs); i++) {
        Split part;
        if (group_split_into(PyTuple_GET_ITEM(excs, i), kind, matcher, want_rest, &part) < 0) goto done;
        int added = part.match ? PyList_Append(matches, part.match) : 0;
        if (!added && part.rest) added = PyList_Append(rests, part.rest);
        Py_XDECREF(part.match);
        Py_XDECREF(part.rest);
        if (added < 0) goto done;
    }
    if (group_subset(exc, matches, &out->match) < 0) goto done;
    if (want_rest && group_subset(exc, rests, &out->rest) < 0) {
        Py_CLEAR(out->match);
        goto done;
    }
    status = 0;
done:
    Py_DECREF(excs);
    Py_XDECREF(matches);
    Py_XDECREF(rests);
    Py_LeaveRecursiveCall();
    return status;
}

BUILTIN_O(group, derive, "($self, object, /)", "A group with the same message and other exceptions.")
{
    PyObject *args = PyTuple_Pack(2, GROUP(self)->msg, arg);
    if (!args) return NULL;
    PyObject *result = PyObject_CallObject(PyExc_BaseExceptionGroup, args);
    Py_DECREF(args);
    return result;
}

BUILTIN_O(group, split, "($self, object, /)", "The group divided into what matches and what does not.")
{
    MatchKind kind;
    Split parts;
    if (matcher_kind(arg, &kind) < 0 || group_split_into(self, kind, arg, true, &parts) < 0) return NULL;
    PyObject *result = PyTuple_Pack(2, parts.match ? parts.match : Py_None, parts.rest ? parts.rest : Py_None);
    Py_XDECREF(parts.match);
    Py_XDECREF(parts.rest);
    return result;
}

BUILTIN_O(group, subgroup, "($self, object, /)", "The part of the group that matches.")
{
    MatchKind kind;
    Split parts;
    if (matcher_kind(arg, &kind) < 0 || group_split_into(self, kind, arg, false, &parts) < 0) return NULL;
    return parts.match ? parts.match : Py_NewRef(Py_None);
}

static PyMethodDef group_methods[] = {
    CLASS_GETITEM, METHOD_UNDOCUMENTED(group, derive), METHOD_UNDOCUMENTED(group, split), METHOD_UNDOCUMENTED(group, subgroup), { 0 },
};

static PyMemberDef group_members[] = {
    { "message", _Py_T_OBJECT, offsetof(PyBaseExceptionGroupObject, msg), Py_READONLY, "exception message" },
    { "exceptions", _Py_T_OBJECT, offsetof(PyBaseExceptionGroupObject, excs), Py_READONLY, "nested exceptions" },
    { 0 },
};

SPECIAL_EXCEPTION(BaseExceptionGroup, exc_BaseException, PyBaseExceptionGroupObject,
                  "A combination of multiple unrelated exceptions.",
                  .tp_dealloc = exception_dealloc, .tp_str = group_str, .tp_traverse = group_traverse, .tp_clear = group_clear,
                  .tp_methods = group_methods, .tp_members = group_members, .tp_init = exception_init, .tp_new = group_new)

/* ---- except* ------------------------------------------------------------------------------------------------------------------ */

/* Adds the addresses of the leaf exceptions. */
static int collect_leaves(PyObject *exc, PyObject *ids)
{
    if (exc == Py_None) return 0;
    if (!IS_GROUP(exc)) {
        PyObject *id = PyLong_FromVoidPtr(exc);
        int status = id ? PySet_Add(ids, id) : -1;
        Py_XDECREF(id);
        return status;
    }
    if (Py_EnterRecursiveCall(" in collect_exception_group_leaf_ids")) return -1;
    int status = 0;
    PyObject *excs = GROUP(exc)->excs;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(excs) && status == 0; i++) status = collect_leaves(PyTuple_GET_ITEM(excs, i), ids);
    Py_LeaveRecursiveCall();
    return status;
}

/* The part of orig whose leaves are among those of the groups in the list keep. New reference, or None. */
static PyObject *projection(PyObject *orig, PyObject *keep)
{
    Split parts = { NULL, NULL };
    PyObject *ids = PySet_New(NULL);
    int status = ids ? 0 : -1;
    for (Py_ssize_t i = 0; status == 0 && i < PyList_GET_SIZE(keep); i++) status = collect_leaves(PyList_GET_ITEM(keep, i), ids);
    if (status == 0) status = group_split_into(orig, BY_IDENTITY, ids, false, &parts);
    Py_XDECREF(ids);
    if (status < 0) return NULL;
    return parts.match ? parts.match : Py_NewRef(Py_None);
}

static bool same_metadata(PyObject *a, PyObject *b)
{
    return BASE(a)->notes == BASE(b)->notes && BASE(a)->traceback == BASE(b)->traceback && BASE(a)->cause == BASE(b)->cause &&
           BASE(a)->context == BASE(b)->context;
}

/* orig: what try raised; excs: what the except* clauses raised or left over (None for nothing). What is to be raised, or None. */
PyObject *PyUnstable_Exc_PrepReraiseStar(PyObject *orig, PyObject *excs)
{
    PyObject *result = NULL, *raised = NULL, *reraised = NULL;
    if (!PyExceptionInstance_Check(orig)) {
        PyErr_SetString(PyExc_TypeError, "orig must be an exception");
        return NULL;
    }
    if (!PyList_Check(excs)) {
        PyErr_SetString(PyExc_TypeError, "excs must be a list of exceptions");
        return NULL;
    }
    Py_ssize_t n = PyList_GET_SIZE(excs);
    if (n == 0) Py_RETURN_NONE;
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *exc = PyList_GET_ITEM(excs, i);
        if (exc == Py_None || PyExceptionInstance_Check(exc)) continue;
        PyErr_Format(PyExc_TypeError, "item %d in excs is not an exception", (int)i);
        return NULL;
    }
    PyObject *traceback = PyException_GetTraceback(orig);
    if (!traceback) {
        PyErr_SetString(PyExc_ValueError, "orig must be a raised exception");
        return NULL;
    }
    Py_DECREF(traceback);
    if (!IS_GROUP(orig)) {                                 /* a bare exception was caught: at most one clause ran */
        PyObject *exc = n <= 2 ? PyList_GET_ITEM(excs, 0) : NULL;
        if (exc) return Py_NewRef(exc);
        PyErr_SetString(PyExc_SystemError, "excs must have at most two items for a bare exception");
        return NULL;
    }
    if (!(raised = PyList_New(0)) || !(reraised = PyList_New(0))) goto done;
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *exc = PyList_GET_ITEM(excs, i);
        if (exc == Py_None) continue;
        /* A part of orig that was raised again still has orig's metadata. */
        if (PyList_Append(same_metadata(exc, orig) ? reraised : raised, exc) < 0) goto done;
    }
    PyObject *part = projection(orig, reraised);
    if (!part) goto done;
    if (PyList_GET_SIZE(raised) == 0) {
        result = part;
        goto done;
    }
    int status = part == Py_None ? 0 : PyList_Append(raised, part);
    Py_DECREF(part);
    if (status < 0) goto done;
    if (PyList_GET_SIZE(raised) == 1) result = Py_NewRef(PyList_GET_ITEM(raised, 0));
    else {
        PyObject *args = Py_BuildValue("(sO)", "", raised);
        if (args) {
            result = PyObject_CallObject(PyExc_BaseExceptionGroup, args);
            Py_DECREF(args);
        }
    }
done:
    Py_XDECREF(raised);
    Py_XDECREF(reraised);
    return result;
}
