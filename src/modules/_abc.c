/* _abc: what abc.ABCMeta does, in C. Each abstract class has an _abc_data with three sets of weak references: registered
 * classes, classes known to be subclasses, classes known not to be. The last is valid for one value of a counter that each
 * register() advances. */
#include "objects/type.h"

#include "capi/args.h"
#include "objects/function.h"

typedef struct AbcData {
    PyObject_HEAD
    PyObject *registry, *cache, *negative_cache;              /* sets, NULL while empty */
    uint64_t negative_version;
} AbcData;

typedef struct AbcModule { PyTypeObject *data_type; } AbcModule;

enum { COLLECTION_FLAGS = Py_TPFLAGS_SEQUENCE | Py_TPFLAGS_MAPPING };

/* ---- _abc_data --------------------------------------------------------------------------------------------------------------------- */

static int data_traverse(PyObject *self, visitproc visit, void *arg)
{
    AbcData *d = (AbcData *)self;
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(d->registry);
    Py_VISIT(d->cache);
    Py_VISIT(d->negative_cache);
    return 0;
}

static int data_clear(PyObject *self)
{
    AbcData *d = (AbcData *)self;
    Py_CLEAR(d->registry);
    Py_CLEAR(d->cache);
    Py_CLEAR(d->negative_cache);
    return 0;
}

static void data_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    data_clear(self);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyObject *data_new(PyTypeObject *type, PyObject *Py_UNUSED(args), PyObject *Py_UNUSED(kwds))
{
    AbcData *d = (AbcData *)type->tp_alloc(type, 0);
    if (d) d->negative_version = type_state()->abc_invalidation_counter;
    return OBJECT(d);
}

static PyType_Slot data_slots[] = {
    { Py_tp_doc, (void *)"Internal state held by ABC machinery." }, { Py_tp_new, data_new }, { Py_tp_dealloc, data_dealloc },
    { Py_tp_traverse, data_traverse }, { Py_tp_clear, data_clear }, { 0, NULL },
};

static PyType_Spec data_spec = { "_abc._abc_data", sizeof(AbcData), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC, data_slots };

static AbcModule *state_of(PyObject *module) { return PyModule_GetState(module); }

/* NEW */
static AbcData *get_impl(PyObject *module, PyObject *cls)
{
    PyObject *impl = PyObject_GetAttr(cls, STR(_abc_impl));
    if (!impl) return NULL;
    if (Py_IS_TYPE(impl, state_of(module)->data_type)) return (AbcData *)impl;
    PyErr_SetString(PyExc_TypeError, "_abc_impl is set to a wrong type");
    Py_DECREF(impl);
    return NULL;
}

/* ---- weak sets ------------------------------------------------------------------------------------------------------------------------ */

static int weak_set_contains(PyObject *set, PyObject *o)
{
    if (!set || PySet_GET_SIZE(set) == 0) return 0;
    PyObject *ref = PyWeakref_NewRef(o, NULL);
    if (!ref) {
        if (!PyErr_ExceptionMatches(PyExc_TypeError)) return -1;
        PyErr_Clear();
        return 0;
    }
    int r = PySet_Contains(set, ref);
    Py_DECREF(ref);
    return r;
}

static PyObject *forget(PyObject *set_ref, PyObject *ref)       /* callback: the class died */
{
    PyObject *set;
    if (PyWeakref_GetRef(set_ref, &set) > 0) {
        int status = PySet_Discard(set, ref);
        Py_DECREF(set);
        if (status < 0) return NULL;
    }
    Py_RETURN_NONE;
}

static PyMethodDef forget_def = { "_destroy", forget, METH_O, NULL };

static int weak_set_add(PyObject **set, PyObject *o)
{
    if (!*set && !(*set = PySet_New(NULL))) return -1;
    PyObject *set_ref = PyWeakref_NewRef(*set, NULL), *callback = NULL, *ref = NULL;
    int status = -1;
    if (set_ref && (callback = PyCFunction_NewEx(&forget_def, set_ref, NULL)) && (ref = PyWeakref_NewRef(o, callback)))
        status = PySet_Add(*set, ref);
    Py_XDECREF(set_ref);
    Py_XDECREF(callback);
    Py_XDECREF(ref);
    return status;
}

/* ---- abstract methods ---------------------------------------------------------------------------------------------------------------- */

static int is_abstract(PyObject *o)
{
    PyObject *value;
    if (PyFunction_Check(o) && !((PyFunctionObject *)o)->func_dict) return 0;   /* most of a class */
    int found = PyObject_GetOptionalAttr(o, STR(__isabstractmethod__), &value);
    if (found <= 0) return found;
    int truth = PyObject_IsTrue(value);
    Py_DECREF(value);
    return truth;
}

static int add_own_abstracts(PyObject *set, PyObject *cls)
{
    PyObject *ns = PyObject_GetAttr(cls, STR(__dict__)), *items = ns ? PyMapping_Items(ns) : NULL;
    Py_XDECREF(ns);
    if (!items) return -1;
    int status = 0;
    for (Py_ssize_t i = 0; status >= 0 && i < PyList_GET_SIZE(items); i++) {
        PyObject *pair = PySequence_Tuple(PyList_GET_ITEM(items, i));
        if (!pair) {
            status = -1;
            break;
        }
        if (PyTuple_GET_SIZE(pair) != 2) {
            PyErr_SetString(PyExc_TypeError, "Iteration over items() returned item which size is not 2");
            status = -1;
        }
        else {
            status = is_abstract(PyTuple_GET_ITEM(pair, 1));
            if (status > 0) status = PySet_Add(set, PyTuple_GET_ITEM(pair, 0));
        }
        Py_DECREF(pair);
    }
    Py_DECREF(items);
    return status < 0 ? -1 : 0;
}

/* Abstract methods of a base that cls does not implement. */
static int add_base_abstracts(PyObject *set, PyObject *cls, PyObject *base)
{
    PyObject *names, *it, *name;
    int found = PyObject_GetOptionalAttr(base, STR(__abstractmethods__), &names), status = 0;
    if (found <= 0) return found;
    it = PyObject_GetIter(names);
    Py_DECREF(names);
    if (!it) return -1;
    while (status >= 0 && (name = PyIter_Next(it))) {
        PyObject *value;
        status = PyObject_GetOptionalAttr(cls, name, &value);
        if (status > 0) {
            status = is_abstract(value);
            Py_DECREF(value);
            if (status > 0) status = PySet_Add(set, name);
        }
        Py_DECREF(name);
    }
    Py_DECREF(it);
    return status < 0 || PyErr_Occurred() ? -1 : 0;
}

static int compute_abstract_methods(PyObject *cls)
{
    PyObject *set = PyFrozenSet_New(NULL), *bases = NULL;
    int status = -1;
    if (!set || add_own_abstracts(set, cls) < 0) goto done;
    if (!(bases = PyObject_GetAttr(cls, STR(__bases__)))) goto done;
    if (!PyTuple_Check(bases)) {
        PyErr_SetString(PyExc_TypeError, "__bases__ is not tuple");
        goto done;
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(bases); i++)
        if (add_base_abstracts(set, cls, PyTuple_GET_ITEM(bases, i)) < 0) goto done;
    status = PyObject_SetAttr(cls, STR(__abstractmethods__), set);
done:
    Py_XDECREF(bases);
    Py_XDECREF(set);
    return status;
}

/* Of collections.abc.Sequence and Mapping: the class asks for a flag of match statements. */
static int read_collection_flags(PyTypeObject *cls)
{
    PyObject *flags;
    int found = PyDict_GetItemRef(cls->tp_dict, STR(__abc_tpflags__), &flags);
    if (found <= 0) return found;
    int status = 0;
    if (PyLong_CheckExact(flags)) {
        long value = PyLong_AsLong(flags);
        if (value == -1 && PyErr_Occurred()) status = -1;
        else if ((value & COLLECTION_FLAGS) == COLLECTION_FLAGS) {
            PyErr_SetString(PyExc_TypeError, "__abc_tpflags__ cannot be both Py_TPFLAGS_SEQUENCE and Py_TPFLAGS_MAPPING");
            status = -1;
        }
        else {
            cls->tp_flags |= (unsigned long)value & COLLECTION_FLAGS;
            status = PyDict_DelItem(cls->tp_dict, STR(__abc_tpflags__));
        }
    }
    Py_DECREF(flags);
    return status;
}

BUILTIN_O(abc, _abc_init, "($module, self, /)", "Prepares a new abstract class: finds its abstract methods, gives it its state.")
{
    if (compute_abstract_methods(arg) < 0) return NULL;
    PyObject *data = data_new(state_of(self)->data_type, NULL, NULL);
    if (!data) return NULL;
    int status = PyObject_SetAttr(arg, STR(_abc_impl), data);
    Py_DECREF(data);
    if (status < 0) return NULL;
    if (PyType_Check(arg) && read_collection_flags((PyTypeObject *)arg) < 0) return NULL;
    Py_RETURN_NONE;
}

/* ---- registration ------------------------------------------------------------------------------------------------------------------------ */

static void set_flags(PyTypeObject *type, unsigned long flags)
{
    if (type->tp_flags & Py_TPFLAGS_IMMUTABLETYPE || (type->tp_flags & COLLECTION_FLAGS) == flags) return;
    type->tp_flags = (type->tp_flags & ~(unsigned long)COLLECTION_FLAGS) | flags;
    PyType_Modified(type);
    SubclassList *list = *type_subclass_slot(type);
    for (Py_ssize_t i = 0; list && i < list->count; i++) set_flags(list->items[i], flags);
}

BUILTIN(abc, _abc_register, POSITIONAL, "($module, self, subclass, /)", "Makes subclass count as a subclass of self.")
{
    PyObject *cls = arg[0], *subclass = arg[1];
    if (!PyType_Check(subclass)) return PyErr_Format(PyExc_TypeError, "Can only register classes");
    int r = PyObject_IsSubclass(subclass, cls);
    if (r) return r < 0 ? NULL : Py_NewRef(subclass);
    r = PyObject_IsSubclass(cls, subclass);                     /* a cycle would never end */
    if (r > 0) PyErr_SetString(PyExc_RuntimeError, "Refusing to create an inheritance cycle");
    if (r) return NULL;
    AbcData *d = get_impl(self, cls);
    if (!d) return NULL;
    int status = weak_set_add(&d->registry, subclass);
    Py_DECREF(d);
    if (status < 0) return NULL;
    type_state()->abc_invalidation_counter++;                   /* negative caches are void */
    if (PyType_Check(cls)) {
        unsigned long flags = ((PyTypeObject *)cls)->tp_flags & COLLECTION_FLAGS;
        if (flags) set_flags((PyTypeObject *)subclass, flags);
    }
    return Py_NewRef(subclass);
}

/* ---- the checks ---------------------------------------------------------------------------------------------------------------------------- */

/* cls.__subclasscheck__(subclass), as a truth value. */
static int ask(PyObject *cls, PyObject *subclass)
{
    PyObject *result = PyObject_CallMethodOneArg(cls, STR(__subclasscheck__), subclass);
    if (!result) return -1;
    int truth = PyObject_IsTrue(result);
    Py_DECREF(result);
    return truth;
}

BUILTIN(abc, _abc_instancecheck, POSITIONAL, "($module, self, instance, /)", "What isinstance() does for abstract classes.")
{
    PyObject *cls = arg[0], *instance = arg[1];
    AbcData *d = get_impl(self, cls);
    if (!d) return NULL;
    int r = -1;
    PyObject *subclass = PyObject_GetAttr(instance, STR(__class__)), *type = OBJECT(Py_TYPE(instance));
    if (!subclass) goto done;
    r = weak_set_contains(d->cache, subclass);
    if (r) goto done;
    if (type == subclass) {
        if (d->negative_version == type_state()->abc_invalidation_counter) {
            r = weak_set_contains(d->negative_cache, subclass);
            if (r) {
                r = r < 0 ? -1 : 0;
                goto done;
            }
        }
        r = ask(cls, subclass);
        goto done;
    }
    r = ask(cls, subclass);                                     /* __class__ says something else than type() */
    if (r == 0) r = ask(cls, type);
done:
    Py_XDECREF(subclass);
    Py_DECREF(d);
    return r < 0 ? NULL : PyBool_FromLong(r);
}

/* Is subclass a subclass of a registered class? The set may change while Python code runs. */
static int check_registry(AbcData *d, PyObject *subclass)
{
    int r = weak_set_contains(d->registry, subclass);
    if (r || !d->registry) return r;
    PyObject *copy = PySequence_List(d->registry);
    if (!copy) return -1;
    for (Py_ssize_t i = 0; r == 0 && i < PyList_GET_SIZE(copy); i++) {
        PyObject *registered;
        if (PyWeakref_GetRef(PyList_GET_ITEM(copy, i), &registered) <= 0) continue;
        r = PyObject_IsSubclass(subclass, registered);
        Py_DECREF(registered);
    }
    Py_DECREF(copy);
    return r;
}

static int check_subclasses(PyObject *cls, PyObject *subclass)
{
    PyObject *list = PyObject_CallMethodNoArgs(cls, STR(__subclasses__));
    if (!list) return -1;
    int r = 0;
    if (!PyList_Check(list)) {
        PyErr_SetString(PyExc_TypeError, "__subclasses__() must return a list");
        r = -1;
    }
    for (Py_ssize_t i = 0; r == 0 && i < PyList_GET_SIZE(list); i++) {
        PyObject *other = Py_NewRef(PyList_GET_ITEM(list, i));
        r = PyObject_IsSubclass(subclass, other);
        Py_DECREF(other);
    }
    Py_DECREF(list);
    return r;
}

/* 1, 0: known from the caches; 2: not known; -1. */
static int check_caches(AbcData *d, PyObject *subclass)
{
    int r = weak_set_contains(d->cache, subclass);
    if (r) return r;
    uint64_t now = type_state()->abc_invalidation_counter;
    if (d->negative_version < now) {
        if (d->negative_cache && PySet_Clear(d->negative_cache) < 0) return -1;
        d->negative_version = now;
        return 2;
    }
    r = weak_set_contains(d->negative_cache, subclass);
    return r < 0 ? -1 : r ? 0 : 2;
}

static int subclass_check(AbcData *d, PyObject *cls, PyObject *subclass)
{
    int r = check_caches(d, subclass);
    if (r != 2) return r;
    PyObject *answer = PyObject_CallMethodOneArg(cls, STR(__subclasshook__), subclass);
    if (!answer) return -1;
    if (answer == Py_True) r = 1;
    else if (answer == Py_False) r = 0;
    else if (answer == Py_NotImplemented) r = 2;
    else {
        PyErr_SetString(PyExc_AssertionError, "__subclasshook__ must return either False, True, or NotImplemented");
        r = -1;
    }
    Py_DECREF(answer);
    if (r < 0) return -1;
    if (r == 2) {
        PyObject *mro = ((PyTypeObject *)subclass)->tp_mro;
        r = 0;
        for (Py_ssize_t i = 0; !r && mro && i < PyTuple_GET_SIZE(mro); i++) r = PyTuple_GET_ITEM(mro, i) == cls;
        if (!r && (r = check_registry(d, subclass)) < 0) return -1;
        if (!r && (r = check_subclasses(cls, subclass)) < 0) return -1;
    }
    return weak_set_add(r ? &d->cache : &d->negative_cache, subclass) < 0 ? -1 : r;
}

BUILTIN(abc, _abc_subclasscheck, POSITIONAL, "($module, self, subclass, /)", "What issubclass() does for abstract classes.")
{
    if (!PyType_Check(arg[1])) return PyErr_Format(PyExc_TypeError, "issubclass() arg 1 must be a class");
    AbcData *d = get_impl(self, arg[0]);
    if (!d) return NULL;
    int r = subclass_check(d, arg[0], arg[1]);
    Py_DECREF(d);
    return r < 0 ? NULL : PyBool_FromLong(r);
}

/* ---- for tests and debugging -------------------------------------------------------------------------------------------------------------- */

static PyObject *set_copy(PyObject *set) { return PySet_New(set); }

BUILTIN_O(abc, _get_dump, "($module, self, /)", "Copies of registry, cache, negative cache, and the version of the last.")
{
    AbcData *d = get_impl(self, arg);
    if (!d) return NULL;
    PyObject *result = Py_BuildValue("NNNK", set_copy(d->registry), set_copy(d->cache), set_copy(d->negative_cache),
                                     (unsigned long long)d->negative_version);
    Py_DECREF(d);
    return result;
}

BUILTIN_O(abc, _reset_registry, "($module, self, /)", "Forgets the registered classes.")
{
    AbcData *d = get_impl(self, arg);
    if (!d) return NULL;
    int status = d->registry ? PySet_Clear(d->registry) : 0;
    Py_DECREF(d);
    return status < 0 ? NULL : Py_NewRef(Py_None);
}

BUILTIN_O(abc, _reset_caches, "($module, self, /)", "Forgets what the checks found.")
{
    AbcData *d = get_impl(self, arg);
    if (!d) return NULL;
    int status = d->cache ? PySet_Clear(d->cache) : 0;
    if (status == 0 && d->negative_cache) status = PySet_Clear(d->negative_cache);
    Py_DECREF(d);
    return status < 0 ? NULL : Py_NewRef(Py_None);
}

BUILTIN_NOARGS(abc, get_cache_token, "($module, /)", "A number that changes with every register() of any abstract class.")
{
    (void)self;
    return PyLong_FromUnsignedLongLong(type_state()->abc_invalidation_counter);
}

static PyMethodDef abc_functions[] = {
    METHOD(abc, get_cache_token), METHOD(abc, _abc_init), METHOD(abc, _reset_registry), METHOD(abc, _reset_caches),
    METHOD(abc, _get_dump), METHOD(abc, _abc_register), METHOD(abc, _abc_instancecheck), METHOD(abc, _abc_subclasscheck), { NULL },
};

static int abc_exec(PyObject *module)
{
    state_of(module)->data_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &data_spec, NULL);
    return state_of(module)->data_type ? 0 : -1;
}

static int abc_traverse(PyObject *module, visitproc visit, void *arg)
{
    Py_VISIT(state_of(module)->data_type);
    return 0;
}

static int abc_clear(PyObject *module)
{
    Py_CLEAR(state_of(module)->data_type);
    return 0;
}

static void abc_free(void *module) { abc_clear(module); }

static PyModuleDef_Slot abc_slots[] = {
    { Py_mod_exec, abc_exec }, { Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED }, { 0, NULL },
};

static struct PyModuleDef abc_module = {
    PyModuleDef_HEAD_INIT, .m_name = "_abc", .m_doc = "Module contains faster C implementation of abc.ABCMeta",
    .m_size = sizeof(AbcModule), .m_methods = abc_functions, .m_slots = abc_slots, .m_traverse = abc_traverse, .m_clear = abc_clear,
    .m_free = abc_free,
};

PyMODINIT_FUNC PyInit__abc(void) { return PyModuleDef_Init(&abc_module); }
