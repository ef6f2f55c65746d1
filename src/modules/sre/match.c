/* re.Match: what matched, by group; and the templates of sub() and expand(). */
#include "objects.h"

PyObject *match_new(SreState *state, Pattern *pattern, Matcher *m, int status)
{
    if (status == 0) Py_RETURN_NONE;
    if (status < 0) return matcher_error(status);
    Match *match = PyObject_GC_NewVar(Match, state->match, 2 * (pattern->groups + 1));
    if (!match) return NULL;
    match->pattern = (Pattern *)Py_NewRef(pattern);
    match->string = Py_NewRef(m->string);
    match->regs = NULL;
    match->groups = pattern->groups + 1;
    const char *base = m->beginning;
    match->mark[0] = ((const char *)m->start - base) / m->char_size;
    match->mark[1] = ((const char *)m->pointer - base) / m->char_size;
    for (Py_ssize_t i = 0; i < pattern->groups; i++) {
        const char *from = m->marks[i * 2], *to = m->marks[i * 2 + 1];
        bool set = from && to;
        match->mark[i * 2 + 2] = set ? (from - base) / m->char_size : -1;
        match->mark[i * 2 + 3] = set ? (to - base) / m->char_size : -1;
        if (set && to < from) {                          /* a look-behind can leave them crossed */
            match->mark[i * 2 + 2] = match->mark[i * 2 + 3];
        }
    }
    match->pos = m->pos;
    match->endpos = m->endpos;
    match->lastindex = m->lastindex;
    PyObject_GC_Track(match);
    return (PyObject *)match;
}

/* string[start:end]; the string is asked again, since it may be a buffer that changed. */
static PyObject *slice_of(Match *match, Py_ssize_t start, Py_ssize_t end)
{
    PyObject *string = match->string;
    if (PyUnicode_Check(string)) return PyUnicode_Substring(string, start, end);
    if (PyBytes_CheckExact(string) && start == 0 && end == PyBytes_GET_SIZE(string)) return Py_NewRef(string);
    Py_buffer view;
    if (PyObject_GetBuffer(string, &view, PyBUF_SIMPLE) < 0) return NULL;
    if (end > view.len) end = view.len;
    if (start > end) start = end;
    PyObject *bytes = PyBytes_FromStringAndSize((const char *)view.buf + start, end - start);
    PyBuffer_Release(&view);
    return bytes;
}

static PyObject *group_by_number(Match *match, Py_ssize_t i, PyObject *otherwise)
{
    if (i < 0 || i >= match->groups) {
        PyErr_SetString(PyExc_IndexError, "no such group");
        return NULL;
    }
    if (match->mark[i * 2] < 0) return Py_NewRef(otherwise);
    return slice_of(match, match->mark[i * 2], match->mark[i * 2 + 1]);
}

/* A group's number by index or name; -1 with IndexError. */
static Py_ssize_t match_group_index(Match *match, PyObject *index)
{
    Py_ssize_t i = -1;
    if (PyIndex_Check(index)) i = PyNumber_AsSsize_t(index, NULL);
    else if (match->pattern->groupindex && PyDict_GET_SIZE(match->pattern->groupindex)) {
        PyObject *number = PyDict_GetItemWithError(match->pattern->groupindex, index);
        if (number && PyLong_Check(number)) i = PyLong_AsSsize_t(number);
    }
    if (i >= 0 && i < match->groups) return i;
    if (!PyErr_Occurred()) PyErr_SetString(PyExc_IndexError, "no such group");
    return -1;
}

static PyObject *group_by_index(Match *match, PyObject *index, PyObject *otherwise)
{
    Py_ssize_t i = match_group_index(match, index);
    return i < 0 ? NULL : group_by_number(match, i, otherwise);
}

static PyObject *match_group(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    if (nargs == 0) return group_by_number((Match *)self, 0, Py_None);
    if (nargs == 1) return group_by_index((Match *)self, args[0], Py_None);
    PyObject *tuple = PyTuple_New(nargs);
    for (Py_ssize_t i = 0; tuple && i < nargs; i++) {
        PyObject *item = group_by_index((Match *)self, args[i], Py_None);
        if (!item) Py_CLEAR(tuple);
        else PyTuple_SET_ITEM(tuple, i, item);
    }
    return tuple;
}

static PyObject *match_getitem(PyObject *self, PyObject *index) { return group_by_index((Match *)self, index, Py_None); }

BUILTIN(match, groups, KEYWORDS, "($self, /, default=None)", "Return a tuple containing all the subgroups of the match, from 1.")
{
    Match *match = (Match *)self;
    PyObject *tuple = PyTuple_New(match->groups - 1);
    for (Py_ssize_t i = 1; tuple && i < match->groups; i++) {
        PyObject *item = group_by_number(match, i, arg[0] ? arg[0] : Py_None);
        if (!item) Py_CLEAR(tuple);
        else PyTuple_SET_ITEM(tuple, i - 1, item);
    }
    return tuple;
}

BUILTIN(match, groupdict, KEYWORDS, "($self, /, default=None)", "Return a dictionary containing all the named subgroups of the match, keyed by the subgroup name.")
{
    Match *match = (Match *)self;
    PyObject *dict = PyDict_New(), *key, *number;
    Py_ssize_t at = 0;
    if (!match->pattern->groupindex) return dict;
    while (dict && PyDict_Next(match->pattern->groupindex, &at, &key, &number)) {
        Py_INCREF(key);
        PyObject *value = group_by_index(match, key, arg[0] ? arg[0] : Py_None);
        if (!value || PyDict_SetItem(dict, key, value) < 0) Py_CLEAR(dict);
        Py_XDECREF(value);
        Py_DECREF(key);
    }
    return dict;
}

static Py_ssize_t group_argument(PyObject *self, PyObject *value) { return value ? match_group_index((Match *)self, value) : 0; }

BUILTIN(match, start, POSITIONAL, "($self, group=0, /)", "Return index of the start of the substring matched by group.")
{
    Py_ssize_t i = group_argument(self, arg[0]);
    return i < 0 ? NULL : PyLong_FromSsize_t(((Match *)self)->mark[i * 2]);
}

BUILTIN(match, end, POSITIONAL, "($self, group=0, /)", "Return index of the end of the substring matched by group.")
{
    Py_ssize_t i = group_argument(self, arg[0]);
    return i < 0 ? NULL : PyLong_FromSsize_t(((Match *)self)->mark[i * 2 + 1]);
}

BUILTIN(match, span, POSITIONAL, "($self, group=0, /)", "For match object m, return the 2-tuple (m.start(group), m.end(group)).")
{
    Py_ssize_t i = group_argument(self, arg[0]);
    return i < 0 ? NULL : Py_BuildValue("(nn)", ((Match *)self)->mark[i * 2], ((Match *)self)->mark[i * 2 + 1]);
}

BUILTIN(match, expand, KEYWORDS, "($self, /, template)", "Return the string obtained by doing backslash substitution on the string template, as done by the sub() method.")
{
    PyObject *re = PyImport_ImportModule("re"), *compile = re ? PyObject_GetAttrString(re, "_compile_template") : NULL;
    PyObject *template = compile ? PyObject_CallFunctionObjArgs(compile, ((Match *)self)->pattern, arg[0], NULL) : NULL, *result = NULL;
    Py_XDECREF(re);
    Py_XDECREF(compile);
    if (!template) return NULL;
    if (Py_IS_TYPE(template, sre_state_of(self)->template)) result = match_expand_template((Match *)self, (Template *)template);
    else result = Py_NewRef(template);
    Py_DECREF(template);
    return result;
}

BUILTIN_NOARGS(match, __copy__, "($self, /)", "") { return Py_NewRef(self); }
BUILTIN_O(match, __deepcopy__, "($self, memo, /)", "") { return Py_NewRef(self); }

static PyObject *match_lastindex(PyObject *self, void *closure)
{
    Py_ssize_t last = ((Match *)self)->lastindex;
    return last >= 0 ? PyLong_FromSsize_t(last) : Py_NewRef(Py_None);
}

static PyObject *match_lastgroup(PyObject *self, void *closure)
{
    Match *match = (Match *)self;
    PyObject *names = match->pattern->indexgroup;
    if (names && match->lastindex >= 0 && match->lastindex < PyTuple_GET_SIZE(names))
        return Py_NewRef(PyTuple_GET_ITEM(names, match->lastindex));
    Py_RETURN_NONE;
}

static PyObject *match_regs(PyObject *self, void *closure)
{
    Match *match = (Match *)self;
    if (match->regs) return Py_NewRef(match->regs);
    PyObject *regs = PyTuple_New(match->groups);
    for (Py_ssize_t i = 0; regs && i < match->groups; i++) {
        PyObject *pair = Py_BuildValue("(nn)", match->mark[i * 2], match->mark[i * 2 + 1]);
        if (!pair) Py_CLEAR(regs);
        else PyTuple_SET_ITEM(regs, i, pair);
    }
    match->regs = Py_XNewRef(regs);
    return regs;
}

static PyObject *match_repr(PyObject *self)
{
    Match *match = (Match *)self;
    PyObject *group = group_by_number(match, 0, Py_None), *repr = NULL;
    if (group) repr = PyUnicode_FromFormat("<%s object; span=(%zd, %zd), match=%.50R>", Py_TYPE(self)->tp_name, match->mark[0], match->mark[1], group);
    Py_XDECREF(group);
    return repr;
}

static int match_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((Match *)self)->string);
    Py_VISIT(((Match *)self)->regs);
    Py_VISIT(((Match *)self)->pattern);
    return 0;
}

static int match_clear(PyObject *self)
{
    Py_CLEAR(((Match *)self)->string);
    Py_CLEAR(((Match *)self)->regs);
    Py_CLEAR(((Match *)self)->pattern);
    return 0;
}

static void match_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    match_clear(self);
    PyObject_GC_Del(self);
    Py_DECREF(type);
}

static PyMethodDef match_methods[] = {
    { "group", (PyCFunction)(void (*)(void))match_group, METH_FASTCALL,
      "group([group1, ...]) -> str or tuple.\nReturn subgroup(s) of the match by indices or names; for 0 the entire match." },
    METHOD(match, start), METHOD(match, end), METHOD(match, span), METHOD(match, groups), METHOD(match, groupdict), METHOD(match, expand),
    METHOD(match, __copy__), METHOD(match, __deepcopy__),
    { "__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, PyDoc_STR("See PEP 585") },
    { 0 }
};
static PyGetSetDef match_getset[] = {
    { "lastindex", match_lastindex, NULL, "The integer index of the last matched capturing group.", NULL },
    { "lastgroup", match_lastgroup, NULL, "The name of the last matched capturing group.", NULL }, { "regs", match_regs, NULL, NULL, NULL }, { 0 }
};
static PyMemberDef match_members[] = {
    { "string", Py_T_OBJECT_EX, offsetof(Match, string), Py_READONLY, "The string passed to match() or search()." },
    { "re", Py_T_OBJECT_EX, offsetof(Match, pattern), Py_READONLY, "The regular expression object." },
    { "pos", Py_T_PYSSIZET, offsetof(Match, pos), Py_READONLY, "The index into the string at which the RE engine started looking for a match." },
    { "endpos", Py_T_PYSSIZET, offsetof(Match, endpos), Py_READONLY, "The index into the string beyond which the RE engine will not go." },
    { 0 }
};
static PyType_Slot match_slots[] = {
    { Py_tp_doc, "The result of re.match() and re.search().\nMatch objects always have a boolean value of True." },
    { Py_tp_dealloc, match_dealloc }, { Py_tp_traverse, match_traverse }, { Py_tp_clear, match_clear }, { Py_tp_repr, match_repr },
    { Py_mp_subscript, match_getitem }, { Py_tp_methods, match_methods }, { Py_tp_getset, match_getset }, { Py_tp_members, match_members },
    { 0, NULL }
};
PyType_Spec sre_match_spec = {
    "re.Match", sizeof(Match), sizeof(Py_ssize_t),
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_HAVE_GC, match_slots
};

/* ---- templates ----------------------------------------------------------------------------------------------------------------- */

PyObject *match_expand_template(Match *match, Template *template)
{
    if (template->chunks == 0) return Py_NewRef(template->literal);
    PyObject *list = PyList_New(0), *result = NULL;
    bool is_bytes = !PyUnicode_Check(match->string);
    if (!list || (PyObject_Size(template->literal) > 0 && PyList_Append(list, template->literal) < 0)) goto done;
    for (Py_ssize_t i = 0; i < template->chunks; i++) {
        PyObject *group = group_by_number(match, template->items[i].index, Py_None);
        int status = !group ? -1 : group != Py_None ? PyList_Append(list, group) : 0;
        Py_XDECREF(group);
        if (status == 0 && template->items[i].literal) status = PyList_Append(list, template->items[i].literal);
        if (status < 0) goto done;
    }
    PyObject *empty = is_bytes ? PyBytes_FromStringAndSize(NULL, 0) : PyUnicode_FromStringAndSize(NULL, 0);
    if (empty) result = is_bytes ? PyObject_CallMethod(empty, "join", "O", list) : PyUnicode_Join(empty, list);
    Py_XDECREF(empty);
done:
    Py_XDECREF(list);
    return result;
}

static int template_traverse(PyObject *o, visitproc visit, void *arg)
{
    Template *self = (Template *)o;
    Py_VISIT(Py_TYPE(o));
    Py_VISIT(self->literal);
    for (Py_ssize_t i = 0; i < Py_SIZE(self); i++) Py_VISIT(self->items[i].literal);
    return 0;
}

static int template_clear(PyObject *o)
{
    Template *self = (Template *)o;
    Py_CLEAR(self->literal);
    for (Py_ssize_t i = 0; i < Py_SIZE(self); i++) Py_CLEAR(self->items[i].literal);
    return 0;
}

static void template_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    template_clear(self);
    PyObject_GC_Del(self);
    Py_DECREF(type);
}

static PyType_Slot template_slots[] = {
    { Py_tp_dealloc, template_dealloc }, { Py_tp_traverse, template_traverse }, { Py_tp_clear, template_clear }, { 0, NULL }
};
PyType_Spec sre_template_spec = {
    "_sre.SRE_Template", sizeof(Template), sizeof(((Template *)NULL)->items[0]),
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_HAVE_GC, template_slots
};
