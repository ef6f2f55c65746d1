/* re.Pattern: match, search, findall, split, sub ... over the engine; and scanners. */
#include "objects.h"

#include <structmember.h>

/* ---- a matcher over a string ------------------------------------------------------------------------------------------------- */

/* The characters of a str or bytes-like object. Their size is 0 with an exception. */
static int text_of(Matcher *m, PyObject *string, const void **data, Py_ssize_t *length)
{
    if (PyUnicode_Check(string)) {
        *data = PyUnicode_DATA(string);
        *length = PyUnicode_GET_LENGTH(string);
        m->is_bytes = false;
        return (int)PyUnicode_KIND(string);
    }
    if (PyObject_GetBuffer(string, &m->buffer, PyBUF_SIMPLE) < 0) {
        PyErr_Format(PyExc_TypeError, "expected string or bytes-like object, got '%.200s'", Py_TYPE(string)->tp_name);
        return 0;
    }
    *data = m->buffer.buf;
    *length = m->buffer.len;
    m->is_bytes = true;
    if (*data || !*length) return 1;
    PyBuffer_Release(&m->buffer);
    PyErr_SetString(PyExc_ValueError, "Buffer is NULL");
    return 0;
}

/* Looks at string between pos and endpos. 0 or -1 (TypeError, MemoryError). matcher_done() must follow a success. */
static int matcher_init(Matcher *m, Pattern *pattern, PyObject *string, Py_ssize_t pos, Py_ssize_t endpos)
{
    const void *data;
    Py_ssize_t length;
    memset(m, 0, sizeof *m);
    m->lastindex = -1;
    if (!(m->char_size = text_of(m, string, &data, &length))) return -1;
    if (pattern->is_bytes >= 0 && m->is_bytes != (pattern->is_bytes > 0)) {
        PyErr_SetString(PyExc_TypeError, pattern->is_bytes ? "cannot use a bytes pattern on a string-like object"
                                                           : "cannot use a string pattern on a bytes-like object");
        goto fail;
    }
    m->mark_count = pattern->groups * 2;
    if (m->mark_count && !(m->marks = PyMem_Calloc((size_t)m->mark_count, sizeof *m->marks))) {
        PyErr_NoMemory();
        goto fail;
    }
    if (pos < 0) pos = 0;
    else if (pos > length) pos = length;
    if (endpos < 0) endpos = 0;
    else if (endpos > length) endpos = length;
    m->string = Py_NewRef(string);
    m->pos = pos;
    m->endpos = endpos;
    m->beginning = data;
    m->start = (const char *)data + pos * m->char_size;
    m->end = (const char *)data + endpos * m->char_size;
    return 0;
fail:
    if (m->buffer.buf) PyBuffer_Release(&m->buffer);
    return -1;
}

void matcher_done(Matcher *m)
{
    if (m->buffer.obj) PyBuffer_Release(&m->buffer);
    PyMem_Free(m->marks);
    PyMem_Free(m->stack);
    PyMem_Free(m->loops);
    Py_CLEAR(m->string);
}

static void matcher_again(Matcher *m, const void *start, bool must_advance)
{
    m->start = start;
    m->must_advance = must_advance ? start : NULL;
    m->stack_size = m->loop_count = m->call = 0;
    m->current = 0;
    m->lastindex = -1;
    for (Py_ssize_t i = 0; i < m->mark_count; i++) m->marks[i] = NULL;
}

static int matcher_match(Matcher *m, Pattern *pattern)
{
    if ((const char *)m->start > (const char *)m->end) return 0;
    return m->char_size == 1 ? sre_match_1(m, pattern->code) : m->char_size == 2 ? sre_match_2(m, pattern->code) : sre_match_4(m, pattern->code);
}

static int matcher_search(Matcher *m, Pattern *pattern)
{
    return m->char_size == 1 ? sre_search_1(m, pattern->code) : m->char_size == 2 ? sre_search_2(m, pattern->code) : sre_search_4(m, pattern->code);
}

PyObject *matcher_error(int status)
{
    if (status == MATCH_NO_MEMORY) return PyErr_NoMemory();
    if (!PyErr_Occurred()) PyErr_SetString(PyExc_RuntimeError, "internal error in regular expression engine");
    return NULL;
}

static Py_ssize_t offset_of(const Matcher *m, const void *p) { return ((const char *)p - (const char *)m->beginning) / m->char_size; }

/* The string may have been resized by its own code meanwhile (a bytearray cannot: it is exported). */
static PyObject *sre_slice(PyObject *string, const Matcher *m, Py_ssize_t start, Py_ssize_t end)
{
    if (PyUnicode_Check(string)) return PyUnicode_Substring(string, start, end);
    if (PyBytes_CheckExact(string) && start == 0 && end == PyBytes_GET_SIZE(string)) return Py_NewRef(string);
    return PyBytes_FromStringAndSize((const char *)m->beginning + start, end - start);
}

/* ---- matching ------------------------------------------------------------------------------------------------------------------- */

static int window(PyObject *const *arg, Py_ssize_t *pos, Py_ssize_t *endpos)
{
    *pos = 0;
    *endpos = PY_SSIZE_T_MAX;
    if (arg[1]) *pos = PyNumber_AsSsize_t(arg[1], PyExc_OverflowError);
    if (*pos == -1 && PyErr_Occurred()) return -1;
    if (arg[2]) *endpos = PyNumber_AsSsize_t(arg[2], PyExc_OverflowError);
    return *endpos == -1 && PyErr_Occurred() ? -1 : 0;
}

enum { DO_MATCH, DO_FULLMATCH, DO_SEARCH };

static PyObject *match_once(PyObject *self, PyObject *const *arg, int what)
{
    Matcher m;
    Py_ssize_t pos, endpos;
    if (window(arg, &pos, &endpos) < 0 || matcher_init(&m, (Pattern *)self, arg[0], pos, endpos) < 0) return NULL;
    m.match_all = what == DO_FULLMATCH;
    int status = what == DO_SEARCH ? matcher_search(&m, (Pattern *)self) : matcher_match(&m, (Pattern *)self);
    PyObject *result = match_new(sre_state_of(self), (Pattern *)self, &m, status);
    matcher_done(&m);
    return result;
}

#define WINDOW "($self, /, string, pos=0, endpos=sys.maxsize)"

BUILTIN(pattern, match, KEYWORDS, WINDOW, "Matches zero or more characters at the beginning of the string.") { return match_once(self, arg, DO_MATCH); }
BUILTIN(pattern, fullmatch, KEYWORDS, WINDOW, "Matches against all of the string.") { return match_once(self, arg, DO_FULLMATCH); }
BUILTIN(pattern, search, KEYWORDS, WINDOW, "Scan through string looking for a match, and return a corresponding match object instance or None.")
{
    return match_once(self, arg, DO_SEARCH);
}

static PyObject *group_slice(Matcher *m, Py_ssize_t group, bool empty)
{
    const void *from = m->marks[group * 2], *to = m->marks[group * 2 + 1];
    if (!from || !to) return !empty ? Py_NewRef(Py_None) : m->is_bytes ? PyBytes_FromStringAndSize(NULL, 0) : PyUnicode_FromStringAndSize(NULL, 0);
    Py_ssize_t start = offset_of(m, from), end = offset_of(m, to);
    return sre_slice(m->string, m, start, end < start ? start : end);
}

/* What findall() lists: the match, its group, or a tuple of its groups. */
static PyObject *findall_item(Matcher *m, Pattern *pattern)
{
    if (pattern->groups == 0) return sre_slice(m->string, m, offset_of(m, m->start), offset_of(m, m->pointer));
    if (pattern->groups == 1) return group_slice(m, 0, true);
    PyObject *tuple = PyTuple_New(pattern->groups);
    for (Py_ssize_t i = 0; tuple && i < pattern->groups; i++) {
        PyObject *item = group_slice(m, i, true);
        if (!item) Py_CLEAR(tuple);
        else PyTuple_SET_ITEM(tuple, i, item);
    }
    return tuple;
}

BUILTIN(pattern, findall, KEYWORDS, WINDOW, "Return a list of all non-overlapping matches of pattern in string.")
{
    Matcher m;
    Py_ssize_t pos, endpos;
    int status;
    if (window(arg, &pos, &endpos) < 0 || matcher_init(&m, (Pattern *)self, arg[0], pos, endpos) < 0) return NULL;
    PyObject *list = PyList_New(0);
    while (list && (const char *)m.start <= (const char *)m.end) {
        if ((status = matcher_search(&m, (Pattern *)self)) <= 0) {
            if (status < 0) {
                matcher_error(status);
                Py_CLEAR(list);
            }
            break;
        }
        PyObject *item = findall_item(&m, (Pattern *)self);
        if (!item || PyList_Append(list, item) < 0) Py_CLEAR(list);
        Py_XDECREF(item);
        matcher_again(&m, m.pointer, m.pointer == m.start);
    }
    matcher_done(&m);
    return list;
}

BUILTIN(pattern, split, KEYWORDS, "($self, /, string, maxsplit=0)", "Split string by the occurrences of pattern.")
{
    Matcher m;
    Py_ssize_t maxsplit = 0, n = 0;
    int status;
    if (arg[1]) maxsplit = PyNumber_AsSsize_t(arg[1], PyExc_OverflowError);
    if (maxsplit == -1 && PyErr_Occurred()) return NULL;
    if (matcher_init(&m, (Pattern *)self, arg[0], 0, PY_SSIZE_T_MAX) < 0) return NULL;
    PyObject *list = PyList_New(0), *item;
    const void *last = m.start;
    while (list && (!maxsplit || n < maxsplit)) {
        if ((status = matcher_search(&m, (Pattern *)self)) <= 0) {
            if (status < 0) {
                matcher_error(status);
                Py_CLEAR(list);
            }
            break;
        }
        item = sre_slice(m.string, &m, offset_of(&m, last), offset_of(&m, m.start));
        if (!item || PyList_Append(list, item) < 0) Py_CLEAR(list);
        Py_XDECREF(item);
        for (Py_ssize_t i = 0; list && i < ((Pattern *)self)->groups; i++) {
            item = group_slice(&m, i, false);
            if (!item || PyList_Append(list, item) < 0) Py_CLEAR(list);
            Py_XDECREF(item);
        }
        n++;
        last = m.pointer;
        matcher_again(&m, m.pointer, m.pointer == m.start);
    }
    if (list) {
        item = sre_slice(m.string, &m, offset_of(&m, last), m.endpos);
        if (!item || PyList_Append(list, item) < 0) Py_CLEAR(list);
        Py_XDECREF(item);
    }
    matcher_done(&m);
    return list;
}

/* ---- sub ---------------------------------------------------------------------------------------------------------------------------- */

static bool has_backslash(PyObject *text)
{
    if (PyUnicode_Check(text)) return PyUnicode_FindChar(text, '\\', 0, PyUnicode_GET_LENGTH(text), 1) >= 0;
    Py_buffer view;
    if (PyObject_GetBuffer(text, &view, PyBUF_SIMPLE) < 0) {
        PyErr_Clear();
        return true;
    }
    bool found = view.len && memchr(view.buf, '\\', (size_t)view.len);
    PyBuffer_Release(&view);
    return found;
}

/* repl as a Template, a literal or a callable; NEW. *callable says the last. */
static PyObject *replacement(PyObject *self, PyObject *repl, bool *callable)
{
    SreState *state = sre_state_of(self);
    *callable = PyCallable_Check(repl);
    if (*callable) return Py_NewRef(repl);
    if ((PyUnicode_Check(repl) || PyObject_CheckBuffer(repl)) && !has_backslash(repl)) return Py_NewRef(repl);
    if (!state->compile_template) {
        PyObject *re = PyImport_ImportModule("re");
        if (!re) return NULL;
        state->compile_template = PyObject_GetAttrString(re, "_compile_template");
        Py_DECREF(re);
        if (!state->compile_template) return NULL;
    }
    PyObject *template = PyObject_CallFunctionObjArgs(state->compile_template, self, repl, NULL);
    if (template && Py_IS_TYPE(template, state->template)) {
        if (((Template *)template)->chunks == 0) Py_SETREF(template, Py_NewRef(((Template *)template)->literal));
    }
    else if (template) *callable = PyCallable_Check(template);
    return template;
}

static PyObject *join(Matcher *m, PyObject *parts)
{
    PyObject *empty = m->is_bytes ? PyBytes_FromStringAndSize(NULL, 0) : PyUnicode_FromStringAndSize(NULL, 0), *joined = NULL;
    if (PyList_GET_SIZE(parts) == 0) return empty;
    if (!empty) return NULL;
    if (!m->is_bytes) joined = PyUnicode_Join(empty, parts);
    else {
        PyObject *name = PyUnicode_InternFromString("join");
        if (name) joined = PyObject_CallMethodOneArg(empty, name, parts);
        Py_XDECREF(name);
    }
    Py_DECREF(empty);
    return joined;
}

/* The text that replaces the current match; NEW, None for nothing. */
static PyObject *replace_one(PyObject *self, Matcher *m, PyObject *filter, bool callable)
{
    SreState *state = sre_state_of(self);
    bool template = Py_IS_TYPE(filter, state->template);
    if (!callable && !template) return Py_NewRef(filter);
    PyObject *match = match_new(state, (Pattern *)self, m, 1), *item;
    if (!match) return NULL;
    item = template ? match_expand_template((Match *)match, (Template *)filter) : PyObject_CallOneArg(filter, match);
    Py_DECREF(match);
    return item;
}

static PyObject *substitute(PyObject *self, PyObject *repl, PyObject *string, PyObject *count_object, bool with_count)
{
    Matcher m;
    bool callable;
    Py_ssize_t count = 0, n = 0;
    if (count_object) count = PyNumber_AsSsize_t(count_object, PyExc_OverflowError);
    if (count == -1 && PyErr_Occurred()) return NULL;
    PyObject *filter = replacement(self, repl, &callable), *item, *result = NULL;
    if (!filter) return NULL;
    if (matcher_init(&m, (Pattern *)self, string, 0, PY_SSIZE_T_MAX) < 0) {
        Py_DECREF(filter);
        return NULL;
    }
    PyObject *parts = PyList_New(0);
    const void *last = m.start;
    while (parts && (!count || n < count)) {
        int status = matcher_search(&m, (Pattern *)self);
        if (status <= 0) {
            if (status < 0) {
                matcher_error(status);
                Py_CLEAR(parts);
            }
            break;
        }
        if (last < m.start) {
            item = sre_slice(m.string, &m, offset_of(&m, last), offset_of(&m, m.start));
            if (!item || PyList_Append(parts, item) < 0) Py_CLEAR(parts);
            Py_XDECREF(item);
            if (!parts) break;
        }
        item = replace_one(self, &m, filter, callable);
        if (!item || (item != Py_None && PyList_Append(parts, item) < 0)) Py_CLEAR(parts);
        Py_XDECREF(item);
        n++;
        last = m.pointer;
        matcher_again(&m, m.pointer, m.pointer == m.start);
    }
    if (parts && last < m.end) {
        item = sre_slice(m.string, &m, offset_of(&m, last), m.endpos);
        if (!item || PyList_Append(parts, item) < 0) Py_CLEAR(parts);
        Py_XDECREF(item);
    }
    if (parts) result = join(&m, parts);
    Py_XDECREF(parts);
    matcher_done(&m);
    Py_DECREF(filter);
    if (result && with_count) return Py_BuildValue("(Nn)", result, n);
    return result;
}

BUILTIN(pattern, sub, KEYWORDS, "($self, /, repl, string, count=0)",
        "Return the string obtained by replacing the leftmost non-overlapping occurrences of pattern in string by repl.")
{
    return substitute(self, arg[0], arg[1], arg[2], false);
}

BUILTIN(pattern, subn, KEYWORDS, "($self, /, repl, string, count=0)",
        "Return the tuple (new_string, number_of_subs_made) of replacing occurrences of pattern with the replacement repl.")
{
    return substitute(self, arg[0], arg[1], arg[2], true);
}

/* ---- scanners ------------------------------------------------------------------------------------------------------------------------ */

static PyObject *scanner_new(PyObject *self, PyObject *const *arg)
{
    Py_ssize_t pos, endpos;
    if (window(arg, &pos, &endpos) < 0) return NULL;
    Scanner *scanner = PyObject_GC_New(Scanner, sre_state_of(self)->scanner);
    if (!scanner) return NULL;
    scanner->executing = scanner->exhausted = false;
    scanner->pattern = NULL;
    memset(&scanner->matcher, 0, sizeof scanner->matcher);
    if (matcher_init(&scanner->matcher, (Pattern *)self, arg[0], pos, endpos) < 0) {
        memset(&scanner->matcher, 0, sizeof scanner->matcher);
        Py_DECREF(scanner);
        return NULL;
    }
    scanner->pattern = Py_NewRef(self);
    PyObject_GC_Track(scanner);
    return (PyObject *)scanner;
}

BUILTIN(pattern, scanner, KEYWORDS, WINDOW, "") { return scanner_new(self, arg); }

BUILTIN(pattern, finditer, KEYWORDS, WINDOW, "Return an iterator over all non-overlapping matches for the RE pattern in string.")
{
    PyObject *scanner = scanner_new(self, arg), *it = NULL;
    if (!scanner) return NULL;
    PyObject *search = PyObject_GetAttrString(scanner, "search");
    if (search) it = PyCallIter_New(search, Py_None);
    Py_XDECREF(search);
    Py_DECREF(scanner);
    return it;
}

static PyObject *scan(PyObject *self, bool search)
{
    Scanner *scanner = (Scanner *)self;
    if (scanner->executing) {
        PyErr_SetString(PyExc_ValueError, "regular expression scanner already executing");
        return NULL;
    }
    if (scanner->exhausted) Py_RETURN_NONE;
    scanner->executing = true;
    Matcher *m = &scanner->matcher;
    Pattern *pattern = (Pattern *)scanner->pattern;
    int status = search ? matcher_search(m, pattern) : matcher_match(m, pattern);
    PyObject *match = match_new(sre_state_of(self), pattern, m, status);
    if (status == 0) scanner->exhausted = true;
    else if (status > 0) matcher_again(m, m->pointer, m->pointer == m->start);
    scanner->executing = false;
    return match;
}

BUILTIN_NOARGS(scanner, match, "($self, /)", "") { return scan(self, false); }
BUILTIN_NOARGS(scanner, search, "($self, /)", "") { return scan(self, true); }

static void scanner_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    matcher_done(&((Scanner *)self)->matcher);
    Py_CLEAR(((Scanner *)self)->pattern);
    PyObject_GC_Del(self);
    Py_DECREF(type);
}

static int scanner_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((Scanner *)self)->pattern);
    Py_VISIT(((Scanner *)self)->matcher.string);
    return 0;
}

static PyMethodDef scanner_methods[] = { METHOD(scanner, match), METHOD(scanner, search), { 0 } };
static PyMemberDef scanner_members[] = { { "pattern", Py_T_OBJECT_EX, offsetof(Scanner, pattern), Py_READONLY, NULL }, { 0 } };
static PyType_Slot scanner_slots[] = {
    { Py_tp_dealloc, scanner_dealloc }, { Py_tp_traverse, scanner_traverse }, { Py_tp_methods, scanner_methods },
    { Py_tp_members, scanner_members }, { 0, NULL }
};
PyType_Spec sre_scanner_spec = {
    "_sre.SRE_Scanner", sizeof(Scanner), 0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_HAVE_GC, scanner_slots
};

/* ---- the type --------------------------------------------------------------------------------------------------------------------------- */

BUILTIN_NOARGS(pattern, __copy__, "($self, /)", "") { return Py_NewRef(self); }
BUILTIN_O(pattern, __deepcopy__, "($self, memo, /)", "") { return Py_NewRef(self); }

static PyObject *pattern_repr(PyObject *o)
{
    static const struct { const char *name; int value; } names[] = {
        { "re.IGNORECASE", FLAG_IGNORECASE }, { "re.LOCALE", FLAG_LOCALE }, { "re.MULTILINE", FLAG_MULTILINE }, { "re.DOTALL", FLAG_DOTALL },
        { "re.UNICODE", FLAG_UNICODE }, { "re.VERBOSE", FLAG_VERBOSE }, { "re.DEBUG", FLAG_DEBUG }, { "re.ASCII", FLAG_ASCII },
    };
    Pattern *self = (Pattern *)o;
    int flags = self->flags;
    PyObject *list = PyList_New(0), *result = NULL;
    if (!list) return NULL;
    /* a str pattern is Unicode unless it says otherwise */
    if (self->is_bytes == 0 && (flags & (FLAG_LOCALE | FLAG_UNICODE | FLAG_ASCII)) == FLAG_UNICODE) flags &= ~FLAG_UNICODE;
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        if (!(flags & names[i].value)) continue;
        PyObject *item = PyUnicode_FromString(names[i].name);
        flags &= ~names[i].value;
        if (!item || PyList_Append(list, item) < 0) {
            Py_XDECREF(item);
            goto done;
        }
        Py_DECREF(item);
    }
    if (flags) {
        PyObject *item = PyUnicode_FromFormat("0x%x", flags);
        if (!item || PyList_Append(list, item) < 0) {
            Py_XDECREF(item);
            goto done;
        }
        Py_DECREF(item);
    }
    if (PyList_GET_SIZE(list) == 0) result = PyUnicode_FromFormat("re.compile(%.200R)", self->pattern);
    else {
        PyObject *bar = PyUnicode_FromString("|"), *joined = bar ? PyUnicode_Join(bar, list) : NULL;
        if (joined) result = PyUnicode_FromFormat("re.compile(%.200R, %S)", self->pattern, joined);
        Py_XDECREF(joined);
        Py_XDECREF(bar);
    }
done:
    Py_DECREF(list);
    return result;
}

static Py_hash_t pattern_hash(PyObject *o)
{
    Pattern *self = (Pattern *)o;
    Py_hash_t hash = PyObject_Hash(self->pattern);
    if (hash == -1) return -1;
    Py_uhash_t mixed = 2166136261u;
    for (Py_ssize_t i = 0; i < self->size; i++) mixed = (mixed ^ self->code[i]) * 1099511628211u;
    hash ^= (Py_hash_t)mixed ^ self->flags ^ self->is_bytes ^ self->groups;
    return hash == -1 ? -2 : hash;
}

static PyObject *pattern_richcompare(PyObject *a, PyObject *b, int op)
{
    if ((op != Py_EQ && op != Py_NE) || Py_TYPE(a) != Py_TYPE(b)) Py_RETURN_NOTIMPLEMENTED;
    Pattern *x = (Pattern *)a, *y = (Pattern *)b;
    int same = x == y;
    if (!same) {
        same = x->flags == y->flags && x->is_bytes == y->is_bytes && x->size == y->size
               && memcmp(x->code, y->code, sizeof(Code) * (size_t)x->size) == 0;
        if (same && (same = PyObject_RichCompareBool(x->pattern, y->pattern, Py_EQ)) < 0) return NULL;
    }
    return PyBool_FromLong(same == (op == Py_EQ));
}

static PyObject *pattern_groupindex(PyObject *self, void *closure) { return PyDictProxy_New(((Pattern *)self)->groupindex); }

static int pattern_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((Pattern *)self)->groupindex);
    Py_VISIT(((Pattern *)self)->indexgroup);
    Py_VISIT(((Pattern *)self)->pattern);
    return 0;
}

static int pattern_clear(PyObject *self)
{
    Py_CLEAR(((Pattern *)self)->groupindex);
    Py_CLEAR(((Pattern *)self)->indexgroup);
    Py_CLEAR(((Pattern *)self)->pattern);
    return 0;
}

static void pattern_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    if (((Pattern *)self)->weakrefs) PyObject_ClearWeakRefs(self);
    pattern_clear(self);
    PyObject_GC_Del(self);
    Py_DECREF(type);
}

static PyMethodDef pattern_methods[] = {
    METHOD(pattern, match), METHOD(pattern, fullmatch), METHOD(pattern, search), METHOD(pattern, findall), METHOD(pattern, finditer),
    METHOD(pattern, split), METHOD(pattern, sub), METHOD(pattern, subn), METHOD(pattern, scanner), METHOD(pattern, __copy__),
    METHOD(pattern, __deepcopy__),
    { "__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, PyDoc_STR("See PEP 585") },
    { 0 }
};
static PyMemberDef pattern_members[] = {
    { "pattern", Py_T_OBJECT_EX, offsetof(Pattern, pattern), Py_READONLY, "The pattern string from which the RE object was compiled." },
    { "flags", Py_T_INT, offsetof(Pattern, flags), Py_READONLY, "The regex matching flags." },
    { "groups", Py_T_PYSSIZET, offsetof(Pattern, groups), Py_READONLY, "The number of capturing groups in the pattern." },
    { "__weaklistoffset__", Py_T_PYSSIZET, offsetof(Pattern, weakrefs), Py_READONLY, NULL },
    { 0 }
};
static PyGetSetDef pattern_getset[] = {
    { "groupindex", pattern_groupindex, NULL, "A dictionary mapping group names to group numbers.", NULL }, { 0 }
};
static PyType_Slot pattern_slots[] = {
    { Py_tp_doc, "Compiled regular expression object." }, { Py_tp_dealloc, pattern_dealloc }, { Py_tp_traverse, pattern_traverse },
    { Py_tp_clear, pattern_clear }, { Py_tp_repr, pattern_repr }, { Py_tp_hash, pattern_hash }, { Py_tp_richcompare, pattern_richcompare },
    { Py_tp_methods, pattern_methods }, { Py_tp_members, pattern_members }, { Py_tp_getset, pattern_getset }, { 0, NULL }
};
PyType_Spec sre_pattern_spec = {
    "re.Pattern", sizeof(Pattern), sizeof(Code),
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_HAVE_GC, pattern_slots
};
