/* The _sre module: compiled patterns for re. */
#include "objects.h"

static int character_argument(PyObject *value, Py_UCS4 *c)
{
    int n = PyLong_AsInt(value);
    if (n == -1 && PyErr_Occurred()) return -1;
    *c = (Py_UCS4)n;
    return 0;
}

BUILTIN_NOARGS(sre, getcodesize, "($module, /)", "") { return PyLong_FromSize_t(sizeof(Code)); }

BUILTIN_O(sre, ascii_iscased, "($module, character, /)", "")
{
    Py_UCS4 c;
    return character_argument(arg, &c) < 0 ? NULL : PyBool_FromLong(c < 128 && Py_ISALPHA(c));
}

BUILTIN_O(sre, unicode_iscased, "($module, character, /)", "")
{
    Py_UCS4 c;
    return character_argument(arg, &c) < 0 ? NULL : PyBool_FromLong(Py_UNICODE_TOLOWER(c) != c || Py_UNICODE_TOUPPER(c) != c);
}

BUILTIN_O(sre, ascii_tolower, "($module, character, /)", "")
{
    Py_UCS4 c;
    return character_argument(arg, &c) < 0 ? NULL : PyLong_FromLong((long)sre_lower_ascii(c));
}

BUILTIN_O(sre, unicode_tolower, "($module, character, /)", "")
{
    Py_UCS4 c;
    return character_argument(arg, &c) < 0 ? NULL : PyLong_FromLong((long)Py_UNICODE_TOLOWER(c));
}

BUILTIN(sre, compile, KEYWORDS, "($module, /, pattern, flags, code, groups, groupindex,\n        indexgroup)", "")
{
    SreState *state = sre_state(self);
    int flags = PyLong_AsInt(arg[1]);
    if (flags == -1 && PyErr_Occurred()) return NULL;
    if (!PyList_Check(arg[2])) return PyErr_Format(PyExc_TypeError, "compile() argument 'code' must be list, not %T", arg[2]);
    Py_ssize_t groups = PyNumber_AsSsize_t(arg[3], PyExc_OverflowError), n = PyList_GET_SIZE(arg[2]);
    if (groups == -1 && PyErr_Occurred()) return NULL;
    if (!PyDict_Check(arg[4])) return PyErr_Format(PyExc_TypeError, "compile() argument 'groupindex' must be dict, not %T", arg[4]);
    if (!PyTuple_Check(arg[5])) return PyErr_Format(PyExc_TypeError, "compile() argument 'indexgroup' must be tuple, not %T", arg[5]);

    Pattern *pattern = PyObject_GC_NewVar(Pattern, state->pattern, n);
    if (!pattern) return NULL;
    pattern->weakrefs = NULL;
    pattern->groupindex = pattern->indexgroup = NULL;
    pattern->pattern = Py_NewRef(arg[0]);
    pattern->size = n;
    pattern->flags = flags;
    pattern->groups = groups;
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *item = PyList_GetItem(arg[2], i);
        if (!item) goto fail;
        unsigned long value = PyLong_AsUnsignedLong(item);
        if (value == (unsigned long)-1 && PyErr_Occurred()) {
            if (PyErr_ExceptionMatches(PyExc_OverflowError)) PyErr_SetString(PyExc_OverflowError, "regular expression code size limit exceeded");
            goto fail;
        }
        pattern->code[i] = (Code)value;
        if (pattern->code[i] != value) {
            PyErr_SetString(PyExc_OverflowError, "regular expression code size limit exceeded");
            goto fail;
        }
    }
    if (arg[0] == Py_None) pattern->is_bytes = -1;
    else if (PyUnicode_Check(arg[0])) pattern->is_bytes = 0;
    else {
        Py_buffer view;
        if (PyObject_GetBuffer(arg[0], &view, PyBUF_SIMPLE) < 0) {
            PyErr_Format(PyExc_TypeError, "expected string or bytes-like object, got '%.200s'", Py_TYPE(arg[0])->tp_name);
            goto fail;
        }
        PyBuffer_Release(&view);
        pattern->is_bytes = 1;
    }
    if (PyDict_GET_SIZE(arg[4]) > 0) {
        pattern->groupindex = Py_NewRef(arg[4]);
        if (PyTuple_GET_SIZE(arg[5]) > 0) pattern->indexgroup = Py_NewRef(arg[5]);
    }
    else if (!(pattern->groupindex = PyDict_New())) goto fail;
    if (sre_validate(pattern) < 0) goto fail;
    PyObject_GC_Track(pattern);
    return (PyObject *)pattern;
fail:
    PyObject_GC_Track(pattern);
    Py_DECREF(pattern);
    return NULL;
}

BUILTIN(sre, template, POSITIONAL, "($module, pattern, template, /)",
        "Make the object that sub() and expand() use: template is a list of a literal and then group numbers and literals in turn.")
{
    SreState *state = sre_state(self);
    PyObject *list = arg[1];
    if (!PyList_Check(list)) return PyErr_Format(PyExc_TypeError, "template() argument 2 must be list, not %T", list);
    Py_ssize_t n = PyList_GET_SIZE(list), chunks = n / 2;
    if (n % 2 == 0) goto bad;
    Template *template = PyObject_GC_NewVar(Template, state->template, chunks);
    if (!template) return NULL;
    template->chunks = chunks;
    template->literal = Py_NewRef(PyList_GET_ITEM(list, 0));
    for (Py_ssize_t i = 0; i < chunks; i++) template->items[i].literal = NULL;
    for (Py_ssize_t i = 0; i < chunks; i++) {
        Py_ssize_t index = PyLong_AsSsize_t(PyList_GET_ITEM(list, 2 * i + 1));
        if (index == -1 && PyErr_Occurred()) {
            PyObject_GC_Track(template);
            Py_DECREF(template);
            return NULL;
        }
        if (index < 0) {
            PyObject_GC_Track(template);
            Py_DECREF(template);
            goto bad;
        }
        template->items[i].index = index;
        PyObject *literal = PyList_GET_ITEM(list, 2 * i + 2);
        if (PyObject_Size(literal) > 0) template->items[i].literal = Py_NewRef(literal);
        PyErr_Clear();
    }
    PyObject_GC_Track(template);
    return (PyObject *)template;
bad:
    PyErr_SetString(PyExc_TypeError, "invalid template");
    return NULL;
}

static PyMethodDef sre_methods[] = {
    METHOD(sre, compile), METHOD(sre, getcodesize), METHOD(sre, ascii_iscased), METHOD(sre, unicode_iscased), METHOD(sre, ascii_tolower),
    METHOD(sre, unicode_tolower), METHOD(sre, template),
    { 0 }
};

static int sre_exec(PyObject *module)
{
    SreState *state = sre_state(module);
    const struct { PyTypeObject **type; PyType_Spec *spec; } types[] = {
        { &state->pattern, &sre_pattern_spec }, { &state->match, &sre_match_spec }, { &state->scanner, &sre_scanner_spec },
        { &state->template, &sre_template_spec },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(types); i++)
        if (!(*types[i].type = (PyTypeObject *)PyType_FromModuleAndSpec(module, types[i].spec, NULL))) return -1;
    if (PyModule_AddIntConstant(module, "MAGIC", SRE_MAGIC) < 0 || PyModule_AddIntConstant(module, "CODESIZE", sizeof(Code)) < 0) return -1;
    if (PyModule_Add(module, "MAXREPEAT", PyLong_FromUnsignedLong(SRE_MAXREPEAT)) < 0) return -1;
    if (PyModule_AddIntConstant(module, "MAXGROUPS", SRE_MAXGROUPS) < 0) return -1;
    return PyModule_AddStringConstant(module, "copyright", "Taipan's regular expression engine");
}

static int sre_traverse(PyObject *module, visitproc visit, void *arg)
{
    SreState *state = sre_state(module);
    Py_VISIT(state->pattern);
    Py_VISIT(state->match);
    Py_VISIT(state->scanner);
    Py_VISIT(state->template);
    Py_VISIT(state->compile_template);
    return 0;
}

static int sre_clear(PyObject *module)
{
    SreState *state = sre_state(module);
    Py_CLEAR(state->pattern);
    Py_CLEAR(state->match);
    Py_CLEAR(state->scanner);
    Py_CLEAR(state->template);
    Py_CLEAR(state->compile_template);
    return 0;
}

static void sre_free(void *module) { sre_clear(module); }

static PyModuleDef_Slot sre_slots[] = {
    { Py_mod_exec, sre_exec }, { Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED }, { 0 }
};

struct PyModuleDef sre_definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_sre",
    .m_size = sizeof(SreState),
    .m_methods = sre_methods,
    .m_slots = sre_slots,
    .m_traverse = sre_traverse,
    .m_clear = sre_clear,
    .m_free = sre_free,
};

PyMODINIT_FUNC PyInit__sre(void) { return PyModuleDef_Init(&sre_definition); }
