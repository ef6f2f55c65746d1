/* The _decimal module. */
#include "decimal_private.h"

DecimalState *state_of_type(PyTypeObject *type)
{
    PyObject *module = PyType_GetModuleByDef(type, &decimal_module);
    return module ? PyModule_GetState(module) : NULL;
}

static int make_type(PyObject *module, PyType_Spec *spec, PyTypeObject **place)
{
    *place = (PyTypeObject *)PyType_FromModuleAndSpec(module, spec, NULL);
    return *place ? 0 : -1;
}

/* NEW: attribute of a module. */
static PyObject *import_from(const char *module_name, const char *name)
{
    PyObject *module = PyImport_ImportModule(module_name), *o = module ? PyObject_GetAttrString(module, name) : NULL;
    Py_XDECREF(module);
    return o;
}

/* numbers.Number.register(Decimal), collections.abc.MutableMapping for SignalDict, DecimalTuple. */
static int make_relations(DecimalState *s)
{
    PyObject *number = import_from("numbers", "Number"), *done = number ? PyObject_CallMethod(number, "register", "O", s->decimal_type) : NULL;
    Py_XDECREF(number);
    if (!done) return -1;
    Py_DECREF(done);
    if (!(s->rational = import_from("numbers", "Rational"))) return -1;
    PyObject *mapping = import_from("collections.abc", "MutableMapping");
    s->signal_dict_type = mapping ? PyObject_CallFunction((PyObject *)&PyType_Type, "s(OO){}", "SignalDict", s->signal_mixin_type, mapping) : NULL;
    Py_XDECREF(mapping);
    if (!s->signal_dict_type) return -1;
    PyObject *namedtuple = import_from("collections", "namedtuple");
    s->tuple_type = namedtuple ? PyObject_CallFunction(namedtuple, "(ss)", "DecimalTuple", "sign digits exponent") : NULL;
    Py_XDECREF(namedtuple);
    if (!s->tuple_type) return -1;
    PyObject *name = PyUnicode_FromString("decimal");
    int status = name ? PyObject_SetAttrString(s->tuple_type, "__module__", name) : -1;
    Py_XDECREF(name);
    return status;
}

static int decimal_exec(PyObject *module)
{
    DecimalState *s = PyModule_GetState(module);
    if (MPD_MINALLOC != WORDS) mpd_setminalloc(WORDS);       /* the room in each object; the same value whoever sets it */
    if (make_type(module, &decimal_spec, &s->decimal_type) < 0 || make_type(module, &context_spec, &s->context_type) < 0 ||
        make_type(module, &signal_mixin_spec, &s->signal_mixin_type) < 0 || make_type(module, &manager_spec, &s->manager_type) < 0 ||
        make_relations(s) < 0 || PyModule_AddType(module, s->decimal_type) < 0 || PyModule_AddType(module, s->context_type) < 0 ||
        PyModule_AddObjectRef(module, "DecimalTuple", s->tuple_type) < 0 || context_add_all(module, s) < 0) return -1;
    static const struct { const char *name; long long value; } limits[] = {
        { "MAX_PREC", MPD_MAX_PREC }, { "MAX_EMAX", MPD_MAX_EMAX }, { "MIN_EMIN", MPD_MIN_EMIN }, { "MIN_ETINY", MPD_MIN_ETINY },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(limits); i++)
        if (PyModule_Add(module, limits[i].name, PyLong_FromLongLong(limits[i].value)) < 0) return -1;
    return PyModule_AddObjectRef(module, "HAVE_CONTEXTVAR", Py_True) < 0 || PyModule_AddObjectRef(module, "HAVE_THREADS", Py_True) < 0 ||
           PyModule_AddStringConstant(module, "__version__", "1.70") < 0 ||
           PyModule_AddStringConstant(module, "__libmpdec_version__", MPD_VERSION) < 0 ? -1 : 0;
}

/* Every field of the state is an object. */
static int decimal_module_traverse(PyObject *module, visitproc visit, void *arg)
{
    PyObject **field = PyModule_GetState(module);
    for (size_t i = 0; i < sizeof(DecimalState) / sizeof *field; i++) Py_VISIT(field[i]);
    return 0;
}

static int decimal_module_clear(PyObject *module)
{
    PyObject **field = PyModule_GetState(module);
    for (size_t i = 0; i < sizeof(DecimalState) / sizeof *field; i++) Py_CLEAR(field[i]);
    return 0;
}

static void decimal_module_free(void *module) { decimal_module_clear(module); }

static PyModuleDef_Slot decimal_slots[] = {
    { Py_mod_exec, decimal_exec }, { Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED }, { 0, NULL }
};
PyModuleDef decimal_module = {
    PyModuleDef_HEAD_INIT, "_decimal", "Decimal arithmetic on libmpdec.", sizeof(DecimalState), NULL, decimal_slots, decimal_module_traverse,
    decimal_module_clear, decimal_module_free,
};

PyMODINIT_FUNC PyInit__decimal(void) { return PyModuleDef_Init(&decimal_module); }
