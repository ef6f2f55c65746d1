/* _pickle: the module, and pickling without a Pickler or Unpickler that anybody sees. */
#include "pickle_private.h"

/* ---- functions ------------------------------------------------------------------------------------------------------- */

/* A pickler on the C stack. */
typedef struct LocalPickler { Pickler p; Memo memo; MemoEntry entries[32]; } LocalPickler;

static int local_start(LocalPickler *l, PyObject *module, PyObject *protocol, PyObject *fix_imports, PyObject *callback)
{
    memset(l, 0, sizeof *l);
    Pickler *p = &l->p;
    int fix = fix_imports ? PyObject_IsTrue(fix_imports) : 1;
    l->memo.table = l->entries;
    l->memo.allocated = ARRAY_LENGTH(l->entries);
    p->memo = &l->memo;
    p->state = PyModule_GetState(module);
    if (fix < 0 || pickler_set_protocol(p, protocol, fix) < 0 || pickler_set_callback(p, callback ? callback : Py_None) < 0) return -1;
    return output_start(p);
}

static void local_end(LocalPickler *l)
{
    Py_CLEAR(l->p.output);
    Py_CLEAR(l->p.write);
    Py_CLEAR(l->p.buffer_callback);
    memo_fini(&l->memo);
}

BUILTIN(pickle, dump, KEYWORDS, "($module, /, obj, file, protocol=None, *, fix_imports=True,\n     buffer_callback=None)",
        "Write a pickled representation of obj to the open file object file.\n\n"
        "This is equivalent to ``Pickler(file, protocol).dump(obj)``, but may be more efficient. See Pickler for the arguments.")
{
    LocalPickler l;
    PyObject *result = NULL;
    if (local_start(&l, self, arg[2], arg[3], arg[4]) == 0 && pickler_set_stream(&l.p, arg[1]) == 0 && pickler_run(&l.p, arg[0], false) == 0 &&
        output_flush(&l.p) == 0) result = Py_NewRef(Py_None);
    local_end(&l);
    return result;
}

BUILTIN(pickle, dumps, KEYWORDS, "($module, /, obj, protocol=None, *, fix_imports=True,\n      buffer_callback=None)",
        "Return the pickled representation of the object as a bytes object.\n\nSee Pickler for the arguments.")
{
    LocalPickler l;
    PyObject *result = NULL;
    if (local_start(&l, self, arg[1], arg[2], arg[3]) == 0 && pickler_run(&l.p, arg[0], false) == 0) result = output_take(&l.p);
    local_end(&l);
    return result;
}

typedef struct LocalUnpickler { Unpickler u; LoadStack stack; } LocalUnpickler;

static PyObject *local_load(PyObject *module, PyObject *file, PyObject *data, PyObject *const *arg, const char *function)
{
    LocalUnpickler l;
    Unpickler *u = &l.u;
    PyObject *result = NULL;
    memset(u, 0, sizeof *u);
    int fix = arg[0] ? PyObject_IsTrue(arg[0]) : 1;
    const char *encoding, *errors;
    if (fix < 0 || !(encoding = unpickler_text_argument(arg[1], function, "encoding", "ASCII")) ||
        !(errors = unpickler_text_argument(arg[2], function, "errors", "strict"))) return NULL;
    u->fix_imports = fix;
    if (unpickler_setup(u, &l.stack, PyModule_GetState(module)) == 0 && (file ? input_set_stream(u, file) : input_set_buffer(u, data) < 0 ? -1 : 0) == 0 &&
        unpickler_set_buffers(u, arg[3]) == 0) {
        /* the caller keeps both texts alive: no copies */
        u->encoding = (char *)(uintptr_t)encoding;
        u->errors = (char *)(uintptr_t)errors;
        result = load_run(u);
    }
    u->encoding = u->errors = NULL;
    unpickler_fini(u);
    return result;
}

BUILTIN(pickle, load, KEYWORDS, "($module, /, file, *, fix_imports=True, encoding='ASCII',\n     errors='strict', buffers=())",
        "Read and return an object from the pickle data stored in a file.\n\n"
        "This is equivalent to ``Unpickler(file).load()``, but may be more efficient. See Unpickler for the arguments.")
{
    return local_load(self, arg[0], NULL, arg + 1, "load");
}

BUILTIN(pickle, loads, KEYWORDS, "($module, data, /, *, fix_imports=True, encoding='ASCII',\n      errors='strict', buffers=())",
        "Read and return an object from the given pickle data.\n\nSee Unpickler for the arguments.")
{
    return local_load(self, NULL, arg[0], arg + 1, "loads");
}

/* ---- module ---------------------------------------------------------------------------------------------------------- */

/* NEW: module.name, which must be a dict when shown names it in a message. */
static PyObject *get_from(PyObject *module, const char *name, const char *shown)
{
    PyObject *o = module ? PyObject_GetAttrString(module, name) : NULL;
    if (o && shown && !PyDict_CheckExact(o)) {
        PyErr_Format(PyExc_RuntimeError, "%s should be a dict, not %.200s", shown, Py_TYPE(o)->tp_name);
        Py_CLEAR(o);
    }
    return o;
}

static int find_parts(PickleState *s)
{
    PyObject *copyreg = PyImport_ImportModule("copyreg"), *compat = copyreg ? PyImport_ImportModule("_compat_pickle") : NULL;
    PyObject *codecs = compat ? PyImport_ImportModule("codecs") : NULL, *functools = codecs ? PyImport_ImportModule("functools") : NULL;
    int status = -1;
    if (functools && (s->dispatch_table = get_from(copyreg, "dispatch_table", "copyreg.dispatch_table")) &&
        (s->extension_registry = get_from(copyreg, "_extension_registry", "copyreg._extension_registry")) &&
        (s->inverted_registry = get_from(copyreg, "_inverted_registry", "copyreg._inverted_registry")) &&
        (s->extension_cache = get_from(copyreg, "_extension_cache", "copyreg._extension_cache")) &&
        (s->names_2to3 = get_from(compat, "NAME_MAPPING", "_compat_pickle.NAME_MAPPING")) &&
        (s->modules_2to3 = get_from(compat, "IMPORT_MAPPING", "_compat_pickle.IMPORT_MAPPING")) &&
        (s->names_3to2 = get_from(compat, "REVERSE_NAME_MAPPING", "_compat_pickle.REVERSE_NAME_MAPPING")) &&
        (s->modules_3to2 = get_from(compat, "REVERSE_IMPORT_MAPPING", "_compat_pickle.REVERSE_IMPORT_MAPPING")) &&
        (s->codecs_encode = get_from(codecs, "encode", NULL)) && (s->partial = get_from(functools, "partial", NULL)) &&
        (s->getattr = PyMapping_GetItemString(PyEval_GetBuiltins(), "getattr"))) {
        if (PyCallable_Check(s->codecs_encode)) status = 0;
        else PyErr_Format(PyExc_RuntimeError, "codecs.encode should be a callable, not %.200s", Py_TYPE(s->codecs_encode)->tp_name);
    }
    Py_XDECREF(copyreg);
    Py_XDECREF(compat);
    Py_XDECREF(codecs);
    Py_XDECREF(functools);
    return status;
}

static int add_error(PyObject *module, const char *name, PyObject *base, PyObject **place)
{
    *place = PyErr_NewException(name, base, NULL);
    return *place ? PyModule_AddObjectRef(module, strchr(name, '.') + 1, *place) : -1;
}

static int pickle_exec(PyObject *module)
{
    PickleState *s = PyModule_GetState(module);
    if (!(s->pickler_memo_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &pickler_memo_spec, NULL)) ||
        !(s->unpickler_memo_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &unpickler_memo_spec, NULL)) ||
        module_add_type(module, &pickler_spec, &s->pickler_type) < 0 || module_add_type(module, &unpickler_spec, &s->unpickler_type) < 0 ||
        PyModule_AddType(module, &PyPickleBuffer_Type) < 0 || add_error(module, "_pickle.PickleError", NULL, &s->error) < 0 ||
        add_error(module, "_pickle.PicklingError", s->error, &s->pickling_error) < 0 ||
        add_error(module, "_pickle.UnpicklingError", s->error, &s->unpickling_error) < 0) return -1;
    return find_parts(s);
}

/* Every field of the state is an object. */
static int pickle_traverse(PyObject *module, visitproc visit, void *arg)
{
    PyObject **field = PyModule_GetState(module);
    for (size_t i = 0; i < sizeof(PickleState) / sizeof *field; i++) Py_VISIT(field[i]);
    return 0;
}

static int pickle_clear(PyObject *module)
{
    PyObject **field = PyModule_GetState(module);
    for (size_t i = 0; i < sizeof(PickleState) / sizeof *field; i++) Py_CLEAR(field[i]);
    return 0;
}

static void pickle_free(void *module) { pickle_clear(module); }

static PyMethodDef pickle_methods[] = { METHOD(pickle, dump), METHOD(pickle, dumps), METHOD(pickle, load), METHOD(pickle, loads), { 0 } };
static PyModuleDef_Slot pickle_slots[] = { { Py_mod_exec, pickle_exec }, MODULE_SLOTS_COMMON, { 0, NULL } };

struct PyModuleDef pickle_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_pickle",
    .m_doc = "Pickling: objects as streams of bytes, and back.",
    .m_size = sizeof(PickleState),
    .m_methods = pickle_methods,
    .m_slots = pickle_slots,
    .m_traverse = pickle_traverse,
    .m_clear = pickle_clear,
    .m_free = pickle_free,
};

PyMODINIT_FUNC PyInit__pickle(void) { return PyModuleDef_Init(&pickle_module); }
