/* module: namespaces as objects, and modules made from C definitions, in one phase or several (PEP 489). */
#include "runtime/errors.h"
#include "objects/function.h"

#include "capi/args.h"
#include "objects/unicode.h"

typedef struct Module {
    PyObject_HEAD
    PyObject *dict;
    PyModuleDef *def;
    void *state;
    PyObject *weaklist;
    PyObject *name;                                           /* for messages, once the dict is gone */
} Module;

#define MODULE(o) ((Module *)(o))
_Static_assert(sizeof(Module) == 56, "as types.ModuleType.__basicsize__ shows");

const char *import_package_context(void);                    /* runtime/: full name of the module being loaded, or NULL */

/* ---- definitions ------------------------------------------------------------------------------------------------------------- */

PyTypeObject PyModuleDef_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "moduledef",
    .tp_basicsize = sizeof(PyModuleDef),
    .tp_flags = Py_TPFLAGS_DEFAULT,
};

PyObject *PyModuleDef_Init(PyModuleDef *def)
{
    if (!(PyModuleDef_Type.tp_flags & Py_TPFLAGS_READY) && PyType_Ready(&PyModuleDef_Type) < 0) return NULL;
    if (def->m_base.m_index == 0) {
        Py_SET_REFCNT(OBJECT(def), 1);
        Py_SET_TYPE(OBJECT(def), &PyModuleDef_Type);
        def->m_base.m_index = __atomic_add_fetch(&_PyRuntime.types.module_index, 1, __ATOMIC_RELAXED);
    }
    return OBJECT(def);
}

/* ---- making -------------------------------------------------------------------------------------------------------------------- */

static int init_dict(Module *m, PyObject *dict, PyObject *name, PyObject *doc)
{
    if (!doc) doc = Py_None;
    if (PyDict_SetItem(dict, STR(__name__), name) < 0 || PyDict_SetItem(dict, STR(__doc__), doc) < 0 ||
        PyDict_SetItem(dict, STR(__package__), Py_None) < 0 || PyDict_SetItem(dict, STR(__loader__), Py_None) < 0 ||
        PyDict_SetItem(dict, STR(__spec__), Py_None) < 0)
        return -1;
    if (PyUnicode_CheckExact(name)) Py_XSETREF(m->name, Py_NewRef(name));
    return 0;
}

static Module *module_alloc(PyTypeObject *type)
{
    Module *m = MODULE(PyType_GenericAlloc(type, 0));
    if (m && !(m->dict = PyDict_New())) Py_CLEAR(m);
    return m;
}

static PyObject *module_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    (void)args, (void)kwds;
    return OBJECT(module_alloc(type));
}

PyObject *PyModule_NewObject(PyObject *name)
{
    Module *m = module_alloc(&PyModule_Type);
    if (!m) return NULL;
    if (init_dict(m, m->dict, name, NULL) < 0) Py_CLEAR(m);
    return OBJECT(m);
}

PyObject *PyModule_New(const char *name)
{
    PyObject *text = PyUnicode_FromString(name);
    if (!text) return NULL;
    PyObject *m = PyModule_NewObject(text);
    Py_DECREF(text);
    return m;
}

static bool api_version_ok(int version, const char *name)
{
    if (version == PYTHON_API_VERSION || version == PYTHON_ABI_VERSION) return true;
    return PyErr_WarnFormat(PyExc_RuntimeWarning, 1, "Python C API version mismatch for module %.100s: This Python has API version %d, "
                            "module %.100s has version %d.", name, PYTHON_API_VERSION, name, version) >= 0;
}

static int add_methods(PyObject *m, PyObject *name, PyMethodDef *functions)
{
    for (PyMethodDef *f = functions; f->ml_name; f++) {
        if (f->ml_flags & (METH_CLASS | METH_STATIC)) {
            PyErr_SetString(PyExc_ValueError, "module functions cannot set METH_CLASS or METH_STATIC");
            return -1;
        }
        PyObject *function = PyCFunction_NewEx(f, m, name);
        if (!function) return -1;
        int status = PyObject_SetAttrString(m, f->ml_name, function);
        Py_DECREF(function);
        if (status < 0) return -1;
    }
    return 0;
}

int PyModule_AddFunctions(PyObject *m, PyMethodDef *functions)
{
    PyObject *name = PyModule_GetNameObject(m);
    if (!name) return -1;
    int status = add_methods(m, name, functions);
    Py_DECREF(name);
    return status;
}

int PyModule_SetDocString(PyObject *m, const char *doc)
{
    PyObject *text = PyUnicode_FromString(doc);
    int status = text ? PyObject_SetAttr(m, STR(__doc__), text) : -1;
    Py_XDECREF(text);
    return status;
}

static int allocate_state(Module *m, PyModuleDef *def, const char *name)
{
    (void)name;
    if (def->m_size <= 0) return 0;
    m->state = PyMem_Calloc(1, (size_t)def->m_size);
    if (m->state) return 0;
    PyErr_NoMemory();
    return -1;
}

/* In one phase: def without slots. */
PyAPI_FUNC(PyObject *) _PyModule_CreateInitialized(PyModuleDef *def, int version);
PyObject *_PyModule_CreateInitialized(PyModuleDef *def, int version)
{
    if (!PyModuleDef_Init(def)) return NULL;
    const char *name = def->m_name;
    if (!api_version_ok(version, name)) return NULL;
    if (def->m_slots) {
        PyErr_Format(PyExc_SystemError, "module %s: PyModule_Create is incompatible with m_slots", name);
        return NULL;
    }
    /* a submodule's function knows only its last part */
    const char *context = import_package_context(), *dot = context ? strrchr(context, '.') : NULL;
    if (dot && strcmp(name, dot + 1) == 0) name = context;
    PyObject *full_name = PyUnicode_FromString(name);
    if (!full_name) return NULL;
    Module *m = MODULE(PyModule_NewObject(full_name));
    Py_DECREF(full_name);
    if (!m) return NULL;
    if (allocate_state(m, def, name) < 0) goto error;
    if (def->m_methods && PyModule_AddFunctions(OBJECT(m), def->m_methods) < 0) goto error;
    if (def->m_doc && PyModule_SetDocString(OBJECT(m), def->m_doc) < 0) goto error;
    m->def = def;
    return OBJECT(m);
error:
    Py_DECREF(m);
    return NULL;
}

PyObject *PyModule_Create2(PyModuleDef *def, int version) { return _PyModule_CreateInitialized(def, version); }

/* ---- several phases ---------------------------------------------------------------------------------------------------------------- */

typedef struct SlotInfo {
    PyObject *(*create)(PyObject *, PyModuleDef *);
    bool exec, has_multiple, has_gil;
    void *multiple;
} SlotInfo;

static int read_slots(PyModuleDef *def, const char *name, SlotInfo *info)
{
    for (PyModuleDef_Slot *s = def->m_slots; s && s->slot; s++) {
        const char *twice = NULL;
        switch (s->slot) {
        case Py_mod_create:
            if (info->create) twice = "create";
            info->create = (PyObject * (*)(PyObject *, PyModuleDef *))(uintptr_t)s->value;
            break;
        case Py_mod_exec: info->exec = true; break;
        case Py_mod_multiple_interpreters:
            if (info->has_multiple) twice = "multiple interpreters";
            info->has_multiple = true;
            info->multiple = s->value;
            break;
        case Py_mod_gil:
            if (info->has_gil) twice = "gil";
            info->has_gil = true;
            break;
        default:
            PyErr_Format(PyExc_SystemError, "module %s uses unknown slot ID %i", name, s->slot);
            return -1;
        }
        if (twice) {
            PyErr_Format(PyExc_SystemError, strcmp(twice, "create") == 0 ? "module %s has multiple create slots"
                                          : strcmp(twice, "gil") == 0 ? "module %s has more than one 'gil' slot"
                                                                      : "module %s has more than one 'multiple interpreters' slots", name);
            return -1;
        }
    }
    return 0;
}

static int check_isolation(Interpreter *interp, const char *name)
{
    int override = interp->runtime.import.override_multi_interp_check;
    if (override ? override < 0 : !(interp->runtime.feature_flags & FEATURE_MULTI_INTERP)) return 0;
    PyErr_Format(PyExc_ImportError, "module %s does not support loading in subinterpreters", name);
    return -1;
}

/* May a module with these slots be loaded here? Subinterpreters are strict. */
static int check_multiple(const SlotInfo *info, const char *name)
{
    Interpreter *interp = interp_get();
    if (interp == PyInterpreterState_Main()) return 0;
    void *multiple = info->has_multiple ? info->multiple : Py_MOD_MULTIPLE_INTERPRETERS_SUPPORTED;
    if (multiple == Py_MOD_PER_INTERPRETER_GIL_SUPPORTED) return 0;
    if (multiple == Py_MOD_MULTIPLE_INTERPRETERS_NOT_SUPPORTED) return check_isolation(interp, name);
    return interp->runtime.gil == &interp->runtime.own_gil ? check_isolation(interp, name) : 0;
}

PyObject *PyModule_FromDefAndSpec2(PyModuleDef *def, PyObject *spec, int version)
{
    SlotInfo info = {0};
    PyObject *m = NULL;
    PyModuleDef_Init(def);
    PyObject *name_object = PyObject_GetAttr(spec, STR(name));
    if (!name_object) return NULL;
    const char *name = PyUnicode_AsUTF8(name_object);
    if (!name || !api_version_ok(version, name)) goto error;
    if (def->m_size < 0) {
        PyErr_Format(PyExc_SystemError, "module %s: m_size may not be negative for multi-phase initialization", name);
        goto error;
    }
    if (read_slots(def, name, &info) < 0 || check_multiple(&info, name) < 0) goto error;
    if (info.create) {
        m = info.create(spec, def);
        if (!m) {
            if (!PyErr_Occurred()) PyErr_Format(PyExc_SystemError, "creation of module %s failed without setting an exception", name);
            goto error;
        }
        if (PyErr_Occurred()) {
            errors_format_from_cause(PyExc_SystemError, "creation of module %s raised unreported exception", name);
            goto error;
        }
    }
    else if (!(m = PyModule_NewObject(name_object))) goto error;
    if (PyModule_Check(m)) {
        MODULE(m)->state = NULL;
        MODULE(m)->def = def;
    }
    else if (def->m_size > 0 || def->m_traverse || def->m_clear || def->m_free) {
        PyErr_Format(PyExc_SystemError, "module %s is not a module object, but requests module state", name);
        goto error;
    }
    else if (info.exec) {
        PyErr_Format(PyExc_SystemError, "module %s specifies execution slots, but did not create a ModuleType instance", name);
        goto error;
    }
    if (def->m_methods && add_methods(m, name_object, def->m_methods) < 0) goto error;
    if (def->m_doc && PyModule_SetDocString(m, def->m_doc) < 0) goto error;
    Py_DECREF(name_object);
    return m;
error:
    Py_DECREF(name_object);
    Py_XDECREF(m);
    return NULL;
}

int PyModule_ExecDef(PyObject *m, PyModuleDef *def)
{
    const char *name = PyModule_GetName(m);
    if (!name) return -1;
    if (def->m_size >= 0 && !MODULE(m)->state && PyModule_Check(m)) {
        /* also without a state to speak of: an address marks the module as executed */
        MODULE(m)->state = PyMem_Calloc(1, def->m_size ? (size_t)def->m_size : 1);
        if (!MODULE(m)->state) {
            PyErr_NoMemory();
            return -1;
        }
    }
    for (PyModuleDef_Slot *s = def->m_slots; s && s->slot; s++) {
        if (s->slot != Py_mod_exec) continue;
        int status = ((int (*)(PyObject *))(uintptr_t)s->value)(m);
        if (status != 0) {
            if (!PyErr_Occurred()) PyErr_Format(PyExc_SystemError, "execution of module %s failed without setting an exception", name);
            return -1;
        }
        if (PyErr_Occurred()) {
            errors_format_from_cause(PyExc_SystemError, "execution of module %s raised unreported exception", name);
            return -1;
        }
    }
    return 0;
}

/* ---- parts ----------------------------------------------------------------------------------------------------------------------------- */

static bool check(PyObject *o)
{
    if (PyModule_Check(o)) return true;
    PyErr_BadInternalCall();
    return false;
}

PyObject *PyModule_GetDict(PyObject *m) { return check(m) ? MODULE(m)->dict : NULL; }
PyModuleDef *PyModule_GetDef(PyObject *m)
{
    if (PyModule_Check(m)) return MODULE(m)->def;
    PyErr_BadArgument();
    return NULL;
}

void *PyModule_GetState(PyObject *m)
{
    if (PyModule_Check(m)) return MODULE(m)->state;
    PyErr_BadArgument();
    return NULL;
}

/* NEW: a str from the module's dict. */
static PyObject *str_from_dict(PyObject *m, PyObject *key, const char *message)
{
    PyObject *dict, *value = NULL;
    if (!PyModule_Check(m)) {
        PyErr_BadArgument();
        return NULL;
    }
    dict = MODULE(m)->dict;
    if (dict && PyDict_Check(dict) && PyDict_GetItemRef(dict, key, &value) < 0) return NULL;
    if (value && PyUnicode_Check(value)) return value;
    Py_XDECREF(value);
    PyErr_SetString(PyExc_SystemError, message);
    return NULL;
}

PyObject *PyModule_GetNameObject(PyObject *m) { return str_from_dict(m, STR(__name__), "nameless module"); }
PyObject *PyModule_GetFilenameObject(PyObject *m) { return str_from_dict(m, STR(__file__), "module filename missing"); }

const char *PyModule_GetName(PyObject *m)
{
    PyObject *name = PyModule_GetNameObject(m);
    if (!name) return NULL;
    Py_DECREF(name);                                          /* the dict holds it */
    return PyUnicode_AsUTF8(name);
}

const char *PyModule_GetFilename(PyObject *m)
{
    PyObject *name = PyModule_GetFilenameObject(m);
    if (!name) return NULL;
    const char *text = PyUnicode_AsUTF8(name);
    Py_DECREF(name);
    return text;
}

/* ---- attributes -------------------------------------------------------------------------------------------------------------------------- */

/* NEW str: where the module was loaded from, when that is a file; *origin NULL otherwise. -1 with an exception. */
static int file_origin(PyObject *spec, PyObject **origin)
{
    PyObject *has_location;
    *origin = NULL;
    int found = PyObject_GetOptionalAttrString(spec, "has_location", &has_location);
    if (found <= 0) return found;
    int truth = PyObject_IsTrue(has_location);
    Py_DECREF(has_location);
    if (truth <= 0) return truth;
    if (PyObject_GetOptionalAttrString(spec, "origin", origin) < 0) return -1;
    if (*origin && !PyUnicode_Check(*origin)) Py_CLEAR(*origin);
    return 0;
}

/* Does the module lie in the directory of the script, where it may hide another of its name? */
int module_may_shadow(PyObject *origin)
{
    Py_ssize_t n;
    const char *text = PyUnicode_AsUTF8AndSize(origin, &n);
    if (!text) {
        PyErr_Clear();
        return 0;
    }
    const PyConfig *config = &interp_get()->runtime.config;
    char directory_text[4096], *directory = directory_text;
    if (config->safe_path || !config->sys_path_0) return 0;
    size_t converted = wcstombs(directory_text, config->sys_path_0, sizeof directory_text);
    if (converted == (size_t)-1 || converted == sizeof directory_text) return 0;
    const char *end = memrchr(text, '/', (size_t)n);
    if (!end) return 0;
    if (strcmp(end, "/__init__.py") == 0) {
        end = memrchr(text, '/', (size_t)(end - text));
        if (!end) return 0;
    }
    char cwd[4096];
    if (!*directory) {
        if (!getcwd(cwd, sizeof cwd)) return 0;
        directory = cwd;
    }
    size_t length = strlen(directory);
    return (size_t)(end - text) == length && memcmp(text, directory, length) == 0;
}

int module_shadows_stdlib(PyObject *name)
{
    PyObject *names = PySys_GetObject("stdlib_module_names");
    return names && PyAnySet_Check(names) ? PySet_Contains(names, name) : 0;
}

static int spec_flag(PyObject *spec, PyObject *name)
{
    PyObject *value;
    if (!spec || spec == Py_None) return 0;
    int found = PyObject_GetOptionalAttr(spec, name, &value);
    if (found <= 0) return found;
    int truth = PyObject_IsTrue(value);
    Py_DECREF(value);
    return truth;
}

static int is_uninitialized_submodule(PyObject *spec, PyObject *name)
{
    PyObject *list;
    if (!spec || spec == Py_None) return 0;
    int found = PyObject_GetOptionalAttrString(spec, "_uninitialized_submodules", &list);
    if (found <= 0) return found;
    int r = PySequence_Contains(list, name);
    Py_DECREF(list);
    return r;
}

/* AttributeError with the likeliest reason. */
COLD NOINLINE static void attribute_error(PyObject *name, PyObject *module_name, PyObject *spec)
{
    PyObject *origin = NULL;
    PyObject *E = PyExc_AttributeError;
    if (file_origin(spec, &origin) < 0) return;
    int shadowing = origin ? module_may_shadow(origin) : 0, stdlib = 0;
    if (shadowing > 0 && (stdlib = module_shadows_stdlib(module_name)) < 0) goto done;
    if (stdlib) {
        PyErr_Format(E, "module '%U' has no attribute '%U' (consider renaming '%U' since it has the same name as the standard library "
                     "module named '%U' and prevents importing that standard library module)", module_name, name, origin, module_name);
        goto done;
    }
    int initializing = spec_flag(spec, STR(_initializing));
    if (initializing < 0) goto done;
    if (initializing && shadowing)
        PyErr_Format(E, "module '%U' has no attribute '%U' (consider renaming '%U' if it has the same name as a library you intended "
                     "to import)", module_name, name, origin);
    else if (initializing && origin)
        PyErr_Format(E, "partially initialized module '%U' from '%U' has no attribute '%U' (most likely due to a circular import)",
                     module_name, origin, name);
    else if (initializing)
        PyErr_Format(E, "partially initialized module '%U' has no attribute '%U' (most likely due to a circular import)", module_name, name);
    else {
        int waiting = is_uninitialized_submodule(spec, name);
        if (waiting > 0)
            PyErr_Format(E, "cannot access submodule '%U' of module '%U' (most likely due to a circular import)", name, module_name);
        else if (waiting == 0) PyErr_Format(E, "module '%U' has no attribute '%U'", module_name, name);
    }
done:
    Py_XDECREF(origin);
}

PyObject *module_getattr(PyObject *self, PyObject *name, bool suppress)
{
    PyObject *value = _PyObject_GenericGetAttrWithDict(self, name, NULL, 1), *getattr = NULL, *module_name = NULL, *spec = NULL;
    if (value || PyErr_Occurred()) return value;
    PyObject *dict = MODULE(self)->dict;
    if (PyDict_GetItemRef(dict, STR(__getattr__), &getattr) < 0) return NULL;
    if (getattr) {                                            /* PEP 562 */
        value = PyObject_CallOneArg(getattr, name);
        Py_DECREF(getattr);
        if (!value && suppress && PyErr_ExceptionMatches(PyExc_AttributeError)) PyErr_Clear();
        return value;
    }
    if (suppress) return NULL;
    if (PyDict_GetItemRef(dict, STR(__name__), &module_name) < 0) return NULL;
    if (!module_name || !PyUnicode_Check(module_name)) PyErr_Format(PyExc_AttributeError, "module has no attribute '%U'", name);
    else if (PyDict_GetItemRef(dict, STR(__spec__), &spec) >= 0) {
        if (spec) attribute_error(name, module_name, spec);
        else PyErr_Format(PyExc_AttributeError, "module '%U' has no attribute '%U'", module_name, name);
    }
    Py_XDECREF(module_name);
    Py_XDECREF(spec);
    return NULL;
}

static PyObject *module_getattro(PyObject *self, PyObject *name) { return module_getattr(self, name, false); }

static PyObject *dict_of(PyObject *self)                      /* NEW; what __dict__ says, which must be a dict */
{
    PyObject *dict = PyObject_GetAttr(self, STR(__dict__));
    if (!dict || PyDict_Check(dict)) return dict;
    PyErr_Format(PyExc_TypeError, "<module>.__dict__ is not a dictionary");
    Py_DECREF(dict);
    return NULL;
}

BUILTIN_NOARGS(module, __dir__, "($self, /)", "Names in the module, or what its __dir__() says.")
{
    PyObject *dict = dict_of(self), *result = NULL, *function;
    if (!dict) return NULL;
    if (PyDict_GetItemRef(dict, STR(__dir__), &function) >= 0) {
        result = function ? PyObject_CallNoArgs(function) : PyDict_Keys(dict);
        Py_XDECREF(function);
    }
    Py_DECREF(dict);
    return result;
}

static PyObject *get_annotations(PyObject *self, void *Py_UNUSED(c))
{
    PyObject *dict = dict_of(self), *annotations = NULL;
    if (!dict) return NULL;
    if (PyDict_GetItemRef(dict, STR(__annotations__), &annotations) == 0 && (annotations = PyDict_New()) &&
        PyDict_SetItem(dict, STR(__annotations__), annotations) < 0)
        Py_CLEAR(annotations);
    Py_DECREF(dict);
    return annotations;
}

static int set_annotations(PyObject *self, PyObject *value, void *Py_UNUSED(c))
{
    PyObject *dict = dict_of(self);
    if (!dict) return -1;
    int status;
    if (value) status = PyDict_SetItem(dict, STR(__annotations__), value);
    else {
        status = PyDict_Pop(dict, STR(__annotations__), NULL);
        if (status == 0) PyErr_SetObject(PyExc_AttributeError, STR(__annotations__));
        status = status > 0 ? 0 : -1;
    }
    Py_DECREF(dict);
    return status;
}

/* ---- the type ------------------------------------------------------------------------------------------------------------------------------- */

SIGNATURE(module_signature, "module", KEYWORDS, "(name, doc=None)");

static int module_init(PyObject *self, PyObject *args, PyObject *kwds)
{
    PyObject *arg[2];
    if (args_bind_tuple(&module_signature, args, kwds, arg) < 0) return -1;
    if (!PyUnicode_Check(arg[0])) {
        PyErr_Format(PyExc_TypeError, "module() argument 'name' must be str, not %s", arg[0] == Py_None ? "None" : Py_TYPE(arg[0])->tp_name);
        return -1;
    }
    Module *m = MODULE(self);
    if (!m->dict && !(m->dict = PyDict_New())) return -1;
    return init_dict(m, m->dict, arg[0], arg[1]);
}

static bool has_state(Module *m) { return m->def && (m->def->m_size <= 0 || m->state); }

static void module_dealloc(PyObject *self)
{
    Module *m = MODULE(self);
    PyObject_GC_UnTrack(self);
    if (m->weaklist) PyObject_ClearWeakRefs(self);
    if (has_state(m) && m->def->m_free) m->def->m_free(m);
    Py_XDECREF(m->dict);
    Py_XDECREF(m->name);
    if (m->state) PyMem_Free(m->state);
    Py_TYPE(self)->tp_free(self);
}

static int module_traverse(PyObject *self, visitproc visit, void *arg)
{
    Module *m = MODULE(self);
    if (has_state(m) && m->def->m_traverse) {
        int status = m->def->m_traverse(self, visit, arg);
        if (status) return status;
    }
    Py_VISIT(m->dict);
    return 0;
}

static int module_clear(PyObject *self)
{
    Module *m = MODULE(self);
    if (has_state(m) && m->def->m_clear) {
        int status = m->def->m_clear(self);
        if (PyErr_Occurred())
            PyErr_FormatUnraisable("Exception ignored in m_clear of module%s%V", m->name ? " " : "", m->name, "");
        if (status) return status;
    }
    Py_CLEAR(m->dict);
    return 0;
}

static PyObject *module_repr(PyObject *self)
{
    PyObject *bootstrap = interp_get()->runtime.importlib;
    if (bootstrap) return PyObject_CallMethod(bootstrap, "_module_repr", "O", self);
    return PyUnicode_FromFormat("<module %R>", MODULE(self)->name);
}

static PyMemberDef module_members[] = { { "__dict__", _Py_T_OBJECT, offsetof(Module, dict), Py_READONLY, NULL }, { NULL } };
static PyGetSetDef module_getset[] = { { "__annotations__", get_annotations, set_annotations, NULL, NULL }, { NULL } };
static PyMethodDef module_methods[] = { METHOD(module, __dir__), { NULL } };

PyTypeObject PyModule_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "module",
    .tp_basicsize = sizeof(Module),
    .tp_dealloc = module_dealloc,
    .tp_repr = module_repr,
    .tp_getattro = module_getattro,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .tp_doc = "module(name, doc=None)\n--\n\nMake a module object: a namespace with a name.\n\nThe name must be a string; the documentation, if given, may be anything.",
    .tp_traverse = module_traverse,
    .tp_clear = module_clear,
    .tp_weaklistoffset = offsetof(Module, weaklist),
    .tp_methods = module_methods,
    .tp_members = module_members,
    .tp_getset = module_getset,
    .tp_dictoffset = offsetof(Module, dict),
    .tp_init = module_init,
    .tp_new = module_new,
    .tp_free = PyObject_GC_Del,
};
