/* TypeVar, ParamSpec, TypeVarTuple and their kin: type parameters (PEP 484, 612, 646, 695, 696).
 *
 * What the class statement or typing's constructors make. Bounds, constraints and defaults written in PEP 695 syntax are
 * functions, called when first asked for. Everything that needs more than a C struct is done by functions of typing.py. */
#include "objects/genericalias.h"

#include "capi/args.h"
#include "eval/eval.h"

typedef struct TypeVar {
    PyObject_HEAD
    PyObject *name, *bound, *evaluate_bound, *constraints, *evaluate_constraints, *default_value, *evaluate_default;
    bool covariant, contravariant, infer_variance;
} TypeVar;

typedef struct ParamSpec {
    PyObject_HEAD
    PyObject *name, *bound, *default_value, *evaluate_default;
    bool covariant, contravariant, infer_variance;
} ParamSpec;

typedef struct TypeVarTuple {
    PyObject_HEAD
    PyObject *name, *default_value, *evaluate_default;
} TypeVarTuple;

typedef struct ParamSpecPart {                                /* P.args, P.kwargs */
    PyObject_HEAD
    PyObject *origin;
} ParamSpecPart;

/* ---- classes ------------------------------------------------------------------------------------------------------------------ */

PyTypeObject *typing_class(int which)
{
    static PyType_Spec *const specs[] = {
        [TYPING_TYPEVAR] = &typevar_spec, [TYPING_PARAMSPEC] = &paramspec_spec, [TYPING_TYPEVARTUPLE] = &typevartuple_spec,
        [TYPING_PARAMSPEC_ARGS] = &paramspec_args_spec, [TYPING_PARAMSPEC_KWARGS] = &paramspec_kwargs_spec,
        [TYPING_GENERIC] = &generic_spec,
    };
    PyTypeObject **at = &type_state()->typing_classes[which];
    if (!*at) *at = (PyTypeObject *)PyType_FromSpec(specs[which]);
    return *at;
}

bool typing_is(PyObject *o, int which)
{
    PyTypeObject *type = type_state()->typing_classes[which];
    return type && Py_IS_TYPE(o, type);
}

/* ---- shared by the three ---------------------------------------------------------------------------------------------------------- */

/* The module of the Python function that runs: NEW, None when there is none. */
static PyObject *calling_module(void)
{
    Frame *f = frame_current(&thread_get()->ts);
    PyObject *module = f && f->f_funcobj && PyFunction_Check(f->f_funcobj) ? PyFunction_GetModule(f->f_funcobj) : NULL;
    return Py_NewRef(module ? module : Py_None);
}

/* Steals o. */
static PyObject *with_module(PyObject *o)
{
    PyObject *module = o ? calling_module() : NULL;
    if (module && PyObject_SetAttr(o, STR(__module__), module) < 0) Py_CLEAR(o);
    Py_XDECREF(module);
    return o;
}

static bool check_name(PyObject *name, const char *function)
{
    if (PyUnicode_Check(name)) return true;
    PyErr_Format(PyExc_TypeError, "%s() argument 'name' must be str, not %.50s", function, name == Py_None ? "None" : Py_TYPE(name)->tp_name);
    return false;
}

/* Truth of the flags covariant, contravariant, infer_variance. */
static int read_variance(PyObject *const *arg, bool *covariant, bool *contravariant, bool *infer)
{
    bool *const out[] = { covariant, contravariant, infer };
    for (int i = 0; i < 3; i++) {
        int truth = arg[i] ? PyObject_IsTrue(arg[i]) : 0;
        if (truth < 0) return -1;
        *out[i] = truth;
    }
    if (*covariant && *contravariant) PyErr_SetString(PyExc_ValueError, "Bivariant types are not supported.");
    else if (*infer && (*covariant || *contravariant)) PyErr_SetString(PyExc_ValueError, "Variance cannot be specified with infer_variance.");
    else return 0;
    return -1;
}

/* NEW: a bound as typing checks it; None and NULL give NULL without exception. */
static int read_bound(PyObject *bound, PyObject **out)
{
    *out = NULL;
    if (!bound || bound == Py_None) return 0;
    PyObject *message = PyUnicode_FromString("Bound must be a type.");
    if (!message) return -1;
    *out = typing_call("_type_check", bound, message, NULL);
    Py_DECREF(message);
    return *out ? 0 : -1;
}

/* NEW: a value that a function computes once. */
static PyObject *lazy_value(PyObject **value, PyObject *evaluate, PyObject *without)
{
    if (*value) return Py_NewRef(*value);
    if (!evaluate) return Py_NewRef(without);
    PyObject *result = PyObject_CallNoArgs(evaluate);
    if (result) Py_XSETREF(*value, Py_NewRef(result));
    return result;
}

static PyObject *has_default(PyObject *value, PyObject *evaluate) { return PyBool_FromLong(evaluate || (value && value != NO_DEFAULT)); }

static PyObject *variance_repr(PyObject *name, bool covariant, bool contravariant, bool infer)
{
    if (infer) return Py_NewRef(name);
    return PyUnicode_FromFormat("%c%U", covariant ? '+' : contravariant ? '-' : '~', name);
}

static PyObject *cannot_subclass(const char *name) { return PyErr_Format(PyExc_TypeError, "Cannot subclass an instance of %s", name); }
static PyObject *make_union(PyObject *a, PyObject *b) { return typing_call("_make_union", a, b, NULL); }

static void instance_free(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    type->tp_free(self);
    Py_DECREF(type);
}

/* ---- TypeVar ---------------------------------------------------------------------------------------------------------------------------- */

#define TYPEVAR(o) ((TypeVar *)(o))

static TypeVar *typevar_alloc(PyObject *name)
{
    PyTypeObject *type = typing_class(TYPING_TYPEVAR);
    TypeVar *tv = type ? TYPEVAR(type->tp_alloc(type, 0)) : NULL;
    if (tv) tv->name = Py_NewRef(name);
    return tv;
}

PyObject *typing_make_typevar(PyObject *name, PyObject *evaluate_bound, PyObject *evaluate_constraints)
{
    TypeVar *tv = typevar_alloc(name);
    if (!tv) return NULL;
    tv->evaluate_bound = Py_XNewRef(evaluate_bound);
    tv->evaluate_constraints = Py_XNewRef(evaluate_constraints);
    tv->infer_variance = true;
    return OBJECT(tv);
}

SIGNATURE(typevar_signature, "typevar", KEYWORDS,
          "(name, *, bound=None, default=typing.NoDefault, covariant=False, contravariant=False, infer_variance=False)");

static PyObject *typevar_new(PyTypeObject *Py_UNUSED(type), PyObject *args, PyObject *kwds)
{
    PyObject *arg[6], *first = PyTuple_GetSlice(args, 0, 1), *rest = PyTuple_GetSlice(args, 1, PyTuple_GET_SIZE(args)), *bound = NULL;
    TypeVar *tv = NULL;
    bool covariant, contravariant, infer;
    if (!first || !rest || args_bind_tuple(&typevar_signature, first, kwds, arg) < 0 || !check_name(arg[0], "typevar")) goto done;
    if (read_variance(arg + 3, &covariant, &contravariant, &infer) < 0 || read_bound(arg[1], &bound) < 0) goto done;
    if (PyTuple_GET_SIZE(rest) == 1) {
        PyErr_SetString(PyExc_TypeError, "A single constraint is not allowed");
        goto done;
    }
    if (PyTuple_GET_SIZE(rest) > 1 && bound) {
        PyErr_SetString(PyExc_TypeError, "Constraints cannot be combined with bound=...");
        goto done;
    }
    if (!(tv = typevar_alloc(arg[0]))) goto done;
    tv->bound = Py_XNewRef(bound);
    if (PyTuple_GET_SIZE(rest)) tv->constraints = Py_NewRef(rest);
    tv->default_value = Py_NewRef(arg[2] ? arg[2] : NO_DEFAULT);
    tv->covariant = covariant;
    tv->contravariant = contravariant;
    tv->infer_variance = infer;
done:
    Py_XDECREF(first);
    Py_XDECREF(rest);
    Py_XDECREF(bound);
    return with_module(OBJECT(tv));
}

static int typevar_clear(PyObject *self)
{
    TypeVar *tv = TYPEVAR(self);
    Py_CLEAR(tv->bound);
    Py_CLEAR(tv->evaluate_bound);
    Py_CLEAR(tv->constraints);
    Py_CLEAR(tv->evaluate_constraints);
    Py_CLEAR(tv->default_value);
    Py_CLEAR(tv->evaluate_default);
    PyObject_ClearManagedDict(self);
    return 0;
}

static void typevar_dealloc(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    PyObject_ClearWeakRefs(self);
    Py_DECREF(TYPEVAR(self)->name);
    typevar_clear(self);
    instance_free(self);
}

static int typevar_traverse(PyObject *self, visitproc visit, void *arg)
{
    TypeVar *tv = TYPEVAR(self);
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(tv->bound);
    Py_VISIT(tv->evaluate_bound);
    Py_VISIT(tv->constraints);
    Py_VISIT(tv->evaluate_constraints);
    Py_VISIT(tv->default_value);
    Py_VISIT(tv->evaluate_default);
    return PyObject_VisitManagedDict(self, visit, arg);
}

static PyObject *typevar_repr(PyObject *self)
{
    TypeVar *tv = TYPEVAR(self);
    return variance_repr(tv->name, tv->covariant, tv->contravariant, tv->infer_variance);
}

static PyObject *typevar_get_bound(PyObject *self, void *Py_UNUSED(c)) { return lazy_value(&TYPEVAR(self)->bound, TYPEVAR(self)->evaluate_bound, Py_None); }
static PyObject *typevar_get_default(PyObject *self, void *Py_UNUSED(c)) { return lazy_value(&TYPEVAR(self)->default_value, TYPEVAR(self)->evaluate_default, NO_DEFAULT); }
static PyObject *typevar_get_constraints(PyObject *self, void *Py_UNUSED(c)) { return lazy_value(&TYPEVAR(self)->constraints, TYPEVAR(self)->evaluate_constraints, EMPTY_TUPLE); }

BUILTIN_O(typevar, __typing_subst__, "($self, arg, /)", "What a subscription puts in the place of the type variable.")
{
    return typing_call("_typevar_subst", self, arg, NULL);
}

BUILTIN(typevar, __typing_prepare_subst__, POSITIONAL, "($self, alias, args, /)", "The arguments of a subscription, with defaults for what is missing.")
{
    PyObject *alias = arg[0], *args = arg[1], *params = PyObject_GetAttr(alias, STR(__parameters__));
    if (!params) return NULL;
    Py_ssize_t n = PySequence_Length(args), index = n < 0 ? -1 : PySequence_Index(params, self);
    Py_DECREF(params);
    if (index < 0) return NULL;
    if (index + 1 <= n) return Py_NewRef(args);
    if (index == n) {
        PyObject *value = typevar_get_default(self, NULL);
        if (!value) return NULL;
        if (value != NO_DEFAULT) {
            PyObject *tuple = PyTuple_Pack(1, value), *result = tuple ? PySequence_Concat(args, tuple) : NULL;
            Py_DECREF(value);
            Py_XDECREF(tuple);
            return result;
        }
        Py_DECREF(value);
    }
    return PyErr_Format(PyExc_TypeError, "Too few arguments for %S; actual %zd, expected at least %zd", alias, n, index + 1);
}

BUILTIN_NOARGS(typevar, __reduce__, "($self, /)", "Helper for pickle.") { return Py_NewRef(TYPEVAR(self)->name); }
BUILTIN_NOARGS(typevar, has_default, "($self, /)", "Whether there is a default.") { return has_default(TYPEVAR(self)->default_value, TYPEVAR(self)->evaluate_default); }
BUILTIN_O(typevar, __mro_entries__, "($self, object, /)", "Always an error.")
{
    (void)self, (void)arg;
    return cannot_subclass("TypeVar");
}

static PyMethodDef typevar_methods[] = {
    METHOD(typevar, __typing_subst__), METHOD(typevar, __typing_prepare_subst__), METHOD(typevar, __reduce__),
    METHOD(typevar, has_default), METHOD(typevar, __mro_entries__), { NULL },
};

static PyMemberDef typevar_members[] = {
    { "__name__", _Py_T_OBJECT, offsetof(TypeVar, name), Py_READONLY, NULL },
    { "__covariant__", Py_T_BOOL, offsetof(TypeVar, covariant), Py_READONLY, NULL },
    { "__contravariant__", Py_T_BOOL, offsetof(TypeVar, contravariant), Py_READONLY, NULL },
    { "__infer_variance__", Py_T_BOOL, offsetof(TypeVar, infer_variance), Py_READONLY, NULL },
    { NULL },
};

static PyGetSetDef typevar_getset[] = {
    { "__bound__", typevar_get_bound, NULL, NULL, NULL },
    { "__constraints__", typevar_get_constraints, NULL, NULL, NULL },
    { "__default__", typevar_get_default, NULL, NULL, NULL },
    { NULL },
};

static PyType_Slot typevar_slots[] = {
    { Py_tp_doc, (void *)"A type variable.\n\nBest made by the syntax of generic functions, classes and aliases:\n\n"
                         "    def first[T](items: list[T]) -> T: ...\n\nor TypeVar('T', *constraints, bound=None, default=NoDefault, ...)." },
    { Py_tp_methods, typevar_methods }, { Py_nb_or, make_union }, { Py_tp_new, typevar_new }, { Py_tp_dealloc, typevar_dealloc },
    { Py_tp_alloc, PyType_GenericAlloc }, { Py_tp_free, PyObject_GC_Del }, { Py_tp_traverse, typevar_traverse },
    { Py_tp_clear, typevar_clear }, { Py_tp_repr, typevar_repr }, { Py_tp_members, typevar_members }, { Py_tp_getset, typevar_getset },
    { 0, NULL },
};

enum { PARAM_FLAGS = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE };

PyType_Spec typevar_spec = {
    "typing.TypeVar", sizeof(TypeVar), 0, PARAM_FLAGS | Py_TPFLAGS_MANAGED_DICT | Py_TPFLAGS_MANAGED_WEAKREF, typevar_slots,
};

/* ---- P.args, P.kwargs ------------------------------------------------------------------------------------------------------------------------ */

static PyObject *part_new(int which, PyObject *origin)
{
    PyTypeObject *type = typing_class(which);
    PyObject *o = type ? type->tp_alloc(type, 0) : NULL;
    if (o) ((ParamSpecPart *)o)->origin = Py_NewRef(origin);
    return o;
}

SIGNATURE(part_args_signature, "paramspecargs", KEYWORDS, "(origin)");
SIGNATURE(part_kwargs_signature, "paramspeckwargs", KEYWORDS, "(origin)");

static PyObject *part_args_new(PyTypeObject *Py_UNUSED(type), PyObject *args, PyObject *kwds)
{
    PyObject *arg[1];
    return args_bind_tuple(&part_args_signature, args, kwds, arg) < 0 ? NULL : part_new(TYPING_PARAMSPEC_ARGS, arg[0]);
}

static PyObject *part_kwargs_new(PyTypeObject *Py_UNUSED(type), PyObject *args, PyObject *kwds)
{
    PyObject *arg[1];
    return args_bind_tuple(&part_kwargs_signature, args, kwds, arg) < 0 ? NULL : part_new(TYPING_PARAMSPEC_KWARGS, arg[0]);
}

static PyObject *part_repr(PyObject *self)
{
    PyObject *origin = ((ParamSpecPart *)self)->origin;
    const char *what = typing_is(self, TYPING_PARAMSPEC_ARGS) ? "args" : "kwargs";
    if (typing_is(origin, TYPING_PARAMSPEC)) return PyUnicode_FromFormat("%U.%s", ((ParamSpec *)origin)->name, what);
    return PyUnicode_FromFormat("%R.%s", origin, what);
}

static PyObject *part_richcompare(PyObject *a, PyObject *b, int op)
{
    if (!Py_IS_TYPE(b, Py_TYPE(a)) || (op != Py_EQ && op != Py_NE)) Py_RETURN_NOTIMPLEMENTED;
    return PyObject_RichCompare(((ParamSpecPart *)a)->origin, ((ParamSpecPart *)b)->origin, op);
}

BUILTIN_O(part, __mro_entries__, "($self, object, /)", "Always an error.")
{
    (void)arg;
    return cannot_subclass(typing_is(self, TYPING_PARAMSPEC_ARGS) ? "ParamSpecArgs" : "ParamSpecKwargs");
}

static int part_clear(PyObject *self)
{
    Py_CLEAR(((ParamSpecPart *)self)->origin);
    return 0;
}

static void part_dealloc(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    PyObject_ClearWeakRefs(self);
    part_clear(self);
    instance_free(self);
}

static int part_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((ParamSpecPart *)self)->origin);
    return 0;
}

static PyMethodDef part_methods[] = { METHOD(part, __mro_entries__), { NULL } };
static PyMemberDef part_members[] = { { "__origin__", _Py_T_OBJECT, offsetof(ParamSpecPart, origin), Py_READONLY, NULL }, { NULL } };

#define PART_SLOTS(text, new)                                                                                                              \
    { Py_tp_doc, (void *)text }, { Py_tp_methods, part_methods }, { Py_tp_alloc, PyType_GenericAlloc }, { Py_tp_new, new },               \
    { Py_tp_dealloc, part_dealloc }, { Py_tp_free, PyObject_GC_Del }, { Py_tp_traverse, part_traverse }, { Py_tp_clear, part_clear },     \
    { Py_tp_repr, part_repr }, { Py_tp_members, part_members }, { Py_tp_richcompare, part_richcompare }, { 0, NULL }

static PyType_Slot part_args_slots[] = { PART_SLOTS("The positional arguments that a ParamSpec stands for: P.args.", part_args_new) };
static PyType_Slot part_kwargs_slots[] = { PART_SLOTS("The keyword arguments that a ParamSpec stands for: P.kwargs.", part_kwargs_new) };

PyType_Spec paramspec_args_spec = { "typing.ParamSpecArgs", sizeof(ParamSpecPart), 0, PARAM_FLAGS | Py_TPFLAGS_MANAGED_WEAKREF, part_args_slots };
PyType_Spec paramspec_kwargs_spec = { "typing.ParamSpecKwargs", sizeof(ParamSpecPart), 0, PARAM_FLAGS | Py_TPFLAGS_MANAGED_WEAKREF, part_kwargs_slots };

/* ---- ParamSpec ---------------------------------------------------------------------------------------------------------------------------------- */

#define PARAMSPEC(o) ((ParamSpec *)(o))

static ParamSpec *paramspec_alloc(PyObject *name)
{
    PyTypeObject *type = typing_class(TYPING_PARAMSPEC);
    ParamSpec *ps = type ? PARAMSPEC(type->tp_alloc(type, 0)) : NULL;
    if (ps) ps->name = Py_NewRef(name);
    return ps;
}

PyObject *typing_make_paramspec(PyObject *name)
{
    ParamSpec *ps = paramspec_alloc(name);
    if (ps) ps->infer_variance = true;
    return OBJECT(ps);
}

SIGNATURE(paramspec_signature, "paramspec", KEYWORDS,
          "(name, *, bound=None, default=typing.NoDefault, covariant=False, contravariant=False, infer_variance=False)");

static PyObject *paramspec_new(PyTypeObject *Py_UNUSED(type), PyObject *args, PyObject *kwds)
{
    PyObject *arg[6], *bound;
    bool covariant, contravariant, infer;
    if (args_bind_tuple(&paramspec_signature, args, kwds, arg) < 0 || !check_name(arg[0], "paramspec")) return NULL;
    if (read_variance(arg + 3, &covariant, &contravariant, &infer) < 0 || read_bound(arg[1], &bound) < 0) return NULL;
    ParamSpec *ps = paramspec_alloc(arg[0]);
    if (ps) {
        ps->bound = Py_XNewRef(bound);
        ps->default_value = Py_NewRef(arg[2] ? arg[2] : NO_DEFAULT);
        ps->covariant = covariant;
        ps->contravariant = contravariant;
        ps->infer_variance = infer;
    }
    Py_XDECREF(bound);
    return with_module(OBJECT(ps));
}

static int paramspec_clear(PyObject *self)
{
    Py_CLEAR(PARAMSPEC(self)->bound);
    Py_CLEAR(PARAMSPEC(self)->default_value);
    Py_CLEAR(PARAMSPEC(self)->evaluate_default);
    PyObject_ClearManagedDict(self);
    return 0;
}

static void paramspec_dealloc(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    PyObject_ClearWeakRefs(self);
    Py_DECREF(PARAMSPEC(self)->name);
    paramspec_clear(self);
    instance_free(self);
}

static int paramspec_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(PARAMSPEC(self)->bound);
    Py_VISIT(PARAMSPEC(self)->default_value);
    Py_VISIT(PARAMSPEC(self)->evaluate_default);
    return PyObject_VisitManagedDict(self, visit, arg);
}

static PyObject *paramspec_repr(PyObject *self)
{
    ParamSpec *ps = PARAMSPEC(self);
    return variance_repr(ps->name, ps->covariant, ps->contravariant, ps->infer_variance);
}

static PyObject *paramspec_get_args(PyObject *self, void *Py_UNUSED(c)) { return part_new(TYPING_PARAMSPEC_ARGS, self); }
static PyObject *paramspec_get_kwargs(PyObject *self, void *Py_UNUSED(c)) { return part_new(TYPING_PARAMSPEC_KWARGS, self); }
static PyObject *paramspec_get_default(PyObject *self, void *Py_UNUSED(c)) { return lazy_value(&PARAMSPEC(self)->default_value, PARAMSPEC(self)->evaluate_default, NO_DEFAULT); }

BUILTIN_O(paramspec, __typing_subst__, "($self, arg, /)", "What a subscription puts in the place of the parameter specification.")
{
    return typing_call("_paramspec_subst", self, arg, NULL);
}

BUILTIN(paramspec, __typing_prepare_subst__, POSITIONAL, "($self, alias, args, /)", "The arguments of a subscription, made to fit.")
{
    return typing_call("_paramspec_prepare_subst", self, arg[0], arg[1], NULL);
}

BUILTIN_NOARGS(paramspec, __reduce__, "($self, /)", "Helper for pickle.") { return Py_NewRef(PARAMSPEC(self)->name); }
BUILTIN_NOARGS(paramspec, has_default, "($self, /)", "Whether there is a default.") { return has_default(PARAMSPEC(self)->default_value, PARAMSPEC(self)->evaluate_default); }
BUILTIN_O(paramspec, __mro_entries__, "($self, object, /)", "Always an error.")
{
    (void)self, (void)arg;
    return cannot_subclass("ParamSpec");
}

static PyMethodDef paramspec_methods[] = {
    METHOD(paramspec, __typing_subst__), METHOD(paramspec, __typing_prepare_subst__), METHOD(paramspec, has_default),
    METHOD(paramspec, __reduce__), METHOD(paramspec, __mro_entries__), { NULL },
};

static PyMemberDef paramspec_members[] = {
    { "__name__", _Py_T_OBJECT, offsetof(ParamSpec, name), Py_READONLY, NULL },
    { "__bound__", _Py_T_OBJECT, offsetof(ParamSpec, bound), Py_READONLY, NULL },
    { "__covariant__", Py_T_BOOL, offsetof(ParamSpec, covariant), Py_READONLY, NULL },
    { "__contravariant__", Py_T_BOOL, offsetof(ParamSpec, contravariant), Py_READONLY, NULL },
    { "__infer_variance__", Py_T_BOOL, offsetof(ParamSpec, infer_variance), Py_READONLY, NULL },
    { NULL },
};

static PyGetSetDef paramspec_getset[] = {
    { "args", paramspec_get_args, NULL, "Represents positional arguments.", NULL },
    { "kwargs", paramspec_get_kwargs, NULL, "Represents keyword arguments.", NULL },
    { "__default__", paramspec_get_default, NULL, "The default value for this ParamSpec.", NULL },
    { NULL },
};

static PyType_Slot paramspec_slots[] = {
    { Py_tp_doc, (void *)"A parameter specification: stands for the parameters of a callable.\n\n"
                         "    def logged[**P, R](f: Callable[P, R]) -> Callable[P, R]: ..." },
    { Py_tp_methods, paramspec_methods }, { Py_nb_or, make_union }, { Py_tp_new, paramspec_new }, { Py_tp_dealloc, paramspec_dealloc },
    { Py_tp_alloc, PyType_GenericAlloc }, { Py_tp_free, PyObject_GC_Del }, { Py_tp_traverse, paramspec_traverse },
    { Py_tp_clear, paramspec_clear }, { Py_tp_repr, paramspec_repr }, { Py_tp_members, paramspec_members },
    { Py_tp_getset, paramspec_getset }, { 0, NULL },
};

PyType_Spec paramspec_spec = {
    "typing.ParamSpec", sizeof(ParamSpec), 0, PARAM_FLAGS | Py_TPFLAGS_MANAGED_DICT | Py_TPFLAGS_MANAGED_WEAKREF, paramspec_slots,
};

/* ---- TypeVarTuple -------------------------------------------------------------------------------------------------------------------------------------- */

#define TUPLE(o) ((TypeVarTuple *)(o))

static TypeVarTuple *typevartuple_alloc(PyObject *name)
{
    PyTypeObject *type = typing_class(TYPING_TYPEVARTUPLE);
    TypeVarTuple *tvt = type ? TUPLE(type->tp_alloc(type, 0)) : NULL;
    if (tvt) tvt->name = Py_NewRef(name);
    return tvt;
}

PyObject *typing_make_typevartuple(PyObject *name) { return OBJECT(typevartuple_alloc(name)); }

SIGNATURE(typevartuple_signature, "typevartuple", KEYWORDS, "(name, *, default=typing.NoDefault)");

static PyObject *typevartuple_new(PyTypeObject *Py_UNUSED(type), PyObject *args, PyObject *kwds)
{
    PyObject *arg[2];
    if (args_bind_tuple(&typevartuple_signature, args, kwds, arg) < 0 || !check_name(arg[0], "typevartuple")) return NULL;
    TypeVarTuple *tvt = typevartuple_alloc(arg[0]);
    if (tvt) tvt->default_value = Py_NewRef(arg[1] ? arg[1] : NO_DEFAULT);
    return with_module(OBJECT(tvt));
}

static int typevartuple_clear(PyObject *self)
{
    Py_CLEAR(TUPLE(self)->default_value);
    Py_CLEAR(TUPLE(self)->evaluate_default);
    PyObject_ClearManagedDict(self);
    return 0;
}

static void typevartuple_dealloc(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    PyObject_ClearWeakRefs(self);
    Py_DECREF(TUPLE(self)->name);
    typevartuple_clear(self);
    instance_free(self);
}

static int typevartuple_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(TUPLE(self)->default_value);
    Py_VISIT(TUPLE(self)->evaluate_default);
    return PyObject_VisitManagedDict(self, visit, arg);
}

static PyObject *typevartuple_repr(PyObject *self) { return Py_NewRef(TUPLE(self)->name); }

static PyObject *unpacked(PyObject *o)                          /* typing.Unpack[o] */
{
    PyObject *unpack = typing_attribute("Unpack"), *result = unpack ? PyObject_GetItem(unpack, o) : NULL;
    Py_XDECREF(unpack);
    return result;
}

static PyObject *typevartuple_iter(PyObject *self)              /* *Ts */
{
    PyObject *item = unpacked(self), *tuple = item ? PyTuple_Pack(1, item) : NULL, *it = tuple ? PyObject_GetIter(tuple) : NULL;
    Py_XDECREF(item);
    Py_XDECREF(tuple);
    return it;
}

static PyObject *typevartuple_get_default(PyObject *self, void *Py_UNUSED(c)) { return lazy_value(&TUPLE(self)->default_value, TUPLE(self)->evaluate_default, NO_DEFAULT); }

BUILTIN_O(typevartuple, __typing_subst__, "($self, arg, /)", "Always an error.")
{
    (void)self, (void)arg;
    return PyErr_Format(PyExc_TypeError, "Substitution of bare TypeVarTuple is not supported");
}

BUILTIN(typevartuple, __typing_prepare_subst__, POSITIONAL, "($self, alias, args, /)", "The arguments of a subscription, made to fit.")
{
    return typing_call("_typevartuple_prepare_subst", self, arg[0], arg[1], NULL);
}

BUILTIN_NOARGS(typevartuple, __reduce__, "($self, /)", "Helper for pickle.") { return Py_NewRef(TUPLE(self)->name); }
BUILTIN_NOARGS(typevartuple, has_default, "($self, /)", "Whether there is a default.") { return has_default(TUPLE(self)->default_value, TUPLE(self)->evaluate_default); }
BUILTIN_O(typevartuple, __mro_entries__, "($self, object, /)", "Always an error.")
{
    (void)self, (void)arg;
    return cannot_subclass("TypeVarTuple");
}

static PyMethodDef typevartuple_methods[] = {
    METHOD(typevartuple, __typing_subst__), METHOD(typevartuple, __typing_prepare_subst__), METHOD(typevartuple, __reduce__),
    METHOD(typevartuple, has_default), METHOD(typevartuple, __mro_entries__), { NULL },
};

static PyMemberDef typevartuple_members[] = { { "__name__", _Py_T_OBJECT, offsetof(TypeVarTuple, name), Py_READONLY, NULL }, { NULL } };

static PyGetSetDef typevartuple_getset[] = {
    { "__default__", typevartuple_get_default, NULL, "The default value for this TypeVarTuple.", NULL }, { NULL },
};

static PyType_Slot typevartuple_slots[] = {
    { Py_tp_doc, (void *)"A type variable that stands for any number of types.\n\n    def move[*Ts](items: tuple[*Ts]) -> tuple[*Ts]: ..." },
    { Py_tp_members, typevartuple_members }, { Py_tp_methods, typevartuple_methods }, { Py_tp_getset, typevartuple_getset },
    { Py_tp_new, typevartuple_new }, { Py_tp_iter, typevartuple_iter }, { Py_tp_repr, typevartuple_repr },
    { Py_tp_dealloc, typevartuple_dealloc }, { Py_tp_alloc, PyType_GenericAlloc }, { Py_tp_free, PyObject_GC_Del },
    { Py_tp_traverse, typevartuple_traverse }, { Py_tp_clear, typevartuple_clear }, { 0, NULL },
};

PyType_Spec typevartuple_spec = {
    "typing.TypeVarTuple", sizeof(TypeVarTuple), 0, PARAM_FLAGS | Py_TPFLAGS_MANAGED_DICT | Py_TPFLAGS_MANAGED_WEAKREF, typevartuple_slots,
};

/* ---- defaults (PEP 696) --------------------------------------------------------------------------------------------------------------------------------- */

PyObject *typing_set_default(PyObject *param, PyObject *evaluate)
{
    PyObject **at = typing_is(param, TYPING_TYPEVAR) ? &TYPEVAR(param)->evaluate_default
                  : typing_is(param, TYPING_PARAMSPEC) ? &PARAMSPEC(param)->evaluate_default
                  : typing_is(param, TYPING_TYPEVARTUPLE) ? &TUPLE(param)->evaluate_default : NULL;
    if (!at) {
        PyErr_Format(PyExc_TypeError, "Expected a type param, got %R", param);
        return NULL;
    }
    Py_XSETREF(*at, Py_NewRef(evaluate));
    return Py_NewRef(param);
}
