/* types.GenericAlias: list[int] (PEP 585), and the substitution of type parameters that typing's C classes share. */
#include "objects/genericalias.h"

#include "capi/args.h"
#include "objects/types_extern.h"
#include "objects/unicode.h"

#include <stdarg.h>

typedef struct GenericAlias {
    PyObject_HEAD
    PyObject *origin, *args, *parameters;                     /* parameters: NULL until asked for */
    PyObject *weaklist;
    bool starred;                                             /* *tuple[int, str] */
    vectorcallfunc vectorcall;
} GenericAlias;

#define ALIAS(o) ((GenericAlias *)(o))

/* ---- typing, the Python module ------------------------------------------------------------------------------------------------ */

PyObject *typing_attribute(const char *name)
{
    TypeState *s = type_state();
    if (!s->typing && !(s->typing = PyImport_ImportModule("typing"))) return NULL;
    return PyObject_GetAttrString(s->typing, name);
}

PyObject *typing_call(const char *name, ...)
{
    PyObject *args[6], *function = typing_attribute(name), *result;
    size_t n = 0;
    if (!function) return NULL;
    va_list list;
    va_start(list, name);
    while (n < ARRAY_LENGTH(args) && (args[n] = va_arg(list, PyObject *))) n++;
    va_end(list);
    result = PyObject_Vectorcall(function, args, n, NULL);
    Py_DECREF(function);
    return result;
}

/* ---- repr -------------------------------------------------------------------------------------------------------------------------- */

PyObject *typing_type_repr(PyObject *o)
{
    PyObject *origin = NULL, *args = NULL, *qualname = NULL, *module = NULL, *result = NULL;
    if (o == Py_Ellipsis) return PyUnicode_FromString("...");
    if (PyObject_GetOptionalAttr(o, STR(__origin__), &origin) < 0 || PyObject_GetOptionalAttr(o, STR(__args__), &args) < 0) goto done;
    if (origin && args) goto plain;                           /* a subscripted type says it best itself */
    if (PyObject_GetOptionalAttr(o, STR(__qualname__), &qualname) < 0 || PyObject_GetOptionalAttr(o, STR(__module__), &module) < 0)
        goto done;
    if (!qualname || !module || module == Py_None) goto plain;
    if (PyUnicode_Check(module) && str_equal(module, STR(builtins))) result = PyObject_Str(qualname);
    else result = PyUnicode_FromFormat("%S.%S", module, qualname);
    goto done;
plain:
    result = PyObject_Repr(o);
done:
    Py_XDECREF(origin);
    Py_XDECREF(args);
    Py_XDECREF(qualname);
    Py_XDECREF(module);
    return result;
}

static int write_str(_PyUnicodeWriter *w, PyObject *text)      /* steals text */
{
    int status = text ? _PyUnicodeWriter_WriteStr(w, text) : -1;
    Py_XDECREF(text);
    return status;
}

static int write_item(_PyUnicodeWriter *w, PyObject *o);

static int write_items(_PyUnicodeWriter *w, PyObject *const *items, Py_ssize_t n)
{
    for (Py_ssize_t i = 0; i < n; i++) {
        if (i && _PyUnicodeWriter_WriteASCIIString(w, ", ", 2) < 0) return -1;
        if (write_item(w, items[i]) < 0) return -1;
    }
    return 0;
}

static int write_item(_PyUnicodeWriter *w, PyObject *o)
{
    if (!PyList_CheckExact(o)) return write_str(w, typing_type_repr(o));
    if (_PyUnicodeWriter_WriteChar(w, '[') < 0) return -1;     /* the argument list of a Callable */
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(o); i++) {
        if (i && _PyUnicodeWriter_WriteASCIIString(w, ", ", 2) < 0) return -1;
        PyObject *item = Py_NewRef(PyList_GET_ITEM(o, i));
        int status = write_str(w, typing_type_repr(item));
        Py_DECREF(item);
        if (status < 0) return -1;
    }
    return _PyUnicodeWriter_WriteChar(w, ']');
}

static PyObject *alias_repr(PyObject *self)
{
    GenericAlias *a = ALIAS(self);
    Py_ssize_t n = PyTuple_GET_SIZE(a->args);
    _PyUnicodeWriter w;
    _PyUnicodeWriter_Init(&w);
    if (a->starred && _PyUnicodeWriter_WriteChar(&w, '*') < 0) goto error;
    if (write_str(&w, typing_type_repr(a->origin)) < 0 || _PyUnicodeWriter_WriteChar(&w, '[') < 0) goto error;
    if (write_items(&w, ((PyTupleObject *)a->args)->ob_item, n) < 0) goto error;
    if (n == 0 && _PyUnicodeWriter_WriteASCIIString(&w, "()", 2) < 0) goto error;
    if (_PyUnicodeWriter_WriteChar(&w, ']') < 0) goto error;
    return _PyUnicodeWriter_Finish(&w);
error:
    _PyUnicodeWriter_Dealloc(&w);
    return NULL;
}

/* ---- parameters ---------------------------------------------------------------------------------------------------------------------- */

static Py_ssize_t index_of(PyObject *tuple, PyObject *o)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(tuple); i++)
        if (PyTuple_GET_ITEM(tuple, i) == o) return i;
    return -1;
}

static int add_once(PyObject *list, PyObject *o)
{
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); i++)
        if (PyList_GET_ITEM(list, i) == o) return 0;
    return PyList_Append(list, o);
}

static int collect_parameters(PyObject *list, PyObject *args)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(args); i++) {
        PyObject *t = PyTuple_GET_ITEM(args, i), *subst, *inner = NULL;
        if (PyType_Check(t)) continue;                        /* a class has a __parameters__ of its own that is meant otherwise */
        int found = PyObject_GetOptionalAttr(t, STR(__typing_subst__), &subst);
        if (found < 0) return -1;
        if (found) {                                          /* it is a parameter */
            Py_DECREF(subst);
            if (add_once(list, t) < 0) return -1;
            continue;
        }
        if (PyObject_GetOptionalAttr(t, STR(__parameters__), &inner) < 0) return -1;
        if (!inner) continue;
        int status = 0;
        if (PyTuple_Check(inner))
            for (Py_ssize_t j = 0; status == 0 && j < PyTuple_GET_SIZE(inner); j++) status = add_once(list, PyTuple_GET_ITEM(inner, j));
        Py_DECREF(inner);
        if (status < 0) return -1;
    }
    return 0;
}

PyObject *typing_make_parameters(PyObject *args)
{
    PyObject *list = PyList_New(0), *result = NULL;
    if (list && collect_parameters(list, args) == 0) result = PyList_AsTuple(list);
    Py_XDECREF(list);
    return result;
}

/* Appends the items of a tuple. */
static int extend(PyObject *list, PyObject *tuple)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(tuple); i++)
        if (PyList_Append(list, PyTuple_GET_ITEM(tuple, i)) < 0) return -1;
    return 0;
}

/* NEW: an argument that is itself subscripted gets its own parameters replaced. */
static PyObject *substitute_in(PyObject *o, PyObject *params, PyObject *const *items)
{
    PyObject *inner, *list = NULL, *tuple = NULL, *result = NULL;
    if (PyObject_GetOptionalAttr(o, STR(__parameters__), &inner) < 0) return NULL;
    if (!inner || !PyTuple_Check(inner) || !PyTuple_GET_SIZE(inner)) {
        Py_XDECREF(inner);
        return Py_NewRef(o);
    }
    if (!(list = PyList_New(0))) goto done;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(inner); i++) {
        PyObject *arg = PyTuple_GET_ITEM(inner, i);
        Py_ssize_t at = index_of(params, arg);
        if (at >= 0) {
            arg = items[at];
            if (Py_TYPE(PyTuple_GET_ITEM(params, at))->tp_iter && PyTuple_Check(arg)) {    /* TypeVarTuple */
                if (extend(list, arg) < 0) goto done;
                continue;
            }
        }
        if (PyList_Append(list, arg) < 0) goto done;
    }
    if ((tuple = PyList_AsTuple(list))) result = PyObject_GetItem(o, tuple);
done:
    Py_XDECREF(tuple);
    Py_XDECREF(list);
    Py_DECREF(inner);
    return result;
}

static int attribute_is_true(PyObject *o, PyObject *name)
{
    PyObject *value;
    int found = PyObject_GetOptionalAttr(o, name, &value);
    if (found <= 0) return found;
    int truth = PyObject_IsTrue(value);
    Py_DECREF(value);
    return truth;
}

/* 1 and NEW *args: what *tuple[...] unpacks to; 0; -1. */
static int unpacked_tuple_args(PyObject *o, PyObject **args)
{
    *args = NULL;
    if (Py_IS_TYPE(o, &Py_GenericAliasType) && ALIAS(o)->starred && ALIAS(o)->origin == OBJECT(&PyTuple_Type)) {
        *args = Py_NewRef(ALIAS(o)->args);
        return 1;
    }
    int found = PyObject_GetOptionalAttr(o, STR(__typing_unpacked_tuple_args__), args);
    if (found > 0 && *args == Py_None) {
        Py_CLEAR(*args);
        return 0;
    }
    return found;
}

/* NEW tuple: item or (item,), with unpacked tuples of known length in it spread out. */
static PyObject *unpack_item(PyObject *item)
{
    PyObject *list = PyList_New(0), *result = NULL;
    bool is_tuple = PyTuple_Check(item);
    PyObject *const *items = is_tuple ? ((PyTupleObject *)item)->ob_item : &item;
    Py_ssize_t n = is_tuple ? PyTuple_GET_SIZE(item) : 1;
    if (!list) return NULL;
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *o = items[i], *inner;
        if (PyType_Check(o)) {
            if (PyList_Append(list, o) < 0) goto done;
            continue;
        }
        if (unpacked_tuple_args(o, &inner) < 0) goto done;
        Py_ssize_t m = inner && PyTuple_Check(inner) ? PyTuple_GET_SIZE(inner) : -1;
        bool spread = m >= 0 && !(m && PyTuple_GET_ITEM(inner, m - 1) == Py_Ellipsis);
        int status = spread ? extend(list, inner) : PyList_Append(list, o);
        Py_XDECREF(inner);
        if (status < 0) goto done;
    }
    result = PyList_AsTuple(list);
done:
    Py_DECREF(list);
    return result;
}

/* One argument of the result, or several, into list. */
static int substitute_one(PyObject *list, PyObject *arg, PyObject *params, PyObject *const *items)
{
    PyObject *value = NULL, *subst = NULL;
    if (PyType_Check(arg)) return PyList_Append(list, arg);
    int unpack = attribute_is_true(arg, STR(__typing_is_unpacked_typevartuple__));
    if (unpack < 0 || PyObject_GetOptionalAttr(arg, STR(__typing_subst__), &subst) < 0) return -1;
    if (subst) {
        Py_ssize_t at = index_of(params, arg);
        assert(at >= 0);
        value = at >= 0 ? PyObject_CallOneArg(subst, items[at]) : Py_NewRef(arg);
        Py_DECREF(subst);
    }
    else value = substitute_in(arg, params, items);
    if (!value) return -1;
    int status;
    if (!unpack) status = PyList_Append(list, value);
    else if (PyTuple_Check(value)) status = extend(list, value);
    else {
        PyObject *original = PyObject_GetAttr(arg, STR(__origin__));
        PyErr_Format(PyExc_TypeError, "expected __typing_subst__ of %.200s objects to return a tuple, not %.200s",
                     Py_TYPE(original ? original : arg)->tp_name, Py_TYPE(value)->tp_name);
        Py_XDECREF(original);
        status = -1;
    }
    Py_DECREF(value);
    return status;
}

PyObject *typing_substitute(PyObject *self, PyObject *args, PyObject *params, PyObject *given)
{
    Py_ssize_t count = PyTuple_GET_SIZE(params);
    if (count == 0) return PyErr_Format(PyExc_TypeError, "%R is not a generic class", self);
    PyObject *item = unpack_item(given), *list = NULL, *result = NULL;
    if (!item) return NULL;
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *prepare;
        if (PyObject_GetOptionalAttr(PyTuple_GET_ITEM(params, i), STR(__typing_prepare_subst__), &prepare) < 0) goto done;
        if (prepare && prepare != Py_None) {
            PyObject *tuple = PyTuple_Check(item) ? Py_NewRef(item) : PyTuple_Pack(1, item);
            PyObject *prepared = tuple ? PyObject_CallFunctionObjArgs(prepare, self, tuple, NULL) : NULL;
            Py_XDECREF(tuple);
            Py_SETREF(item, prepared);
        }
        Py_XDECREF(prepare);
        if (!item) goto done;
    }
    bool is_tuple = PyTuple_Check(item);
    Py_ssize_t n = is_tuple ? PyTuple_GET_SIZE(item) : 1;
    PyObject *const *items = is_tuple ? ((PyTupleObject *)item)->ob_item : &item;
    if (n != count) {
        PyErr_Format(PyExc_TypeError, "Too %s arguments for %R; actual %zd, expected %zd", n > count ? "many" : "few", self, n, count);
        goto done;
    }
    if (!(list = PyList_New(0))) goto done;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(args); i++)
        if (substitute_one(list, PyTuple_GET_ITEM(args, i), params, items) < 0) goto done;
    result = PyList_AsTuple(list);
done:
    Py_XDECREF(list);
    Py_XDECREF(item);
    return result;
}

/* ---- making ---------------------------------------------------------------------------------------------------------------------------- */

static void set_orig_class(PyObject *o, PyObject *alias)
{
    if (PyObject_SetAttr(o, STR(__orig_class__), alias) == 0) return;
    if (PyErr_ExceptionMatches(PyExc_AttributeError) || PyErr_ExceptionMatches(PyExc_TypeError)) PyErr_Clear();
}

static PyObject *alias_vectorcall(PyObject *self, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    PyObject *o = PyObject_Vectorcall(ALIAS(self)->origin, args, nargsf, kwnames);
    if (!o) return NULL;
    set_orig_class(o, self);
    if (PyErr_Occurred()) Py_CLEAR(o);
    return o;
}

static PyObject *alias_new(PyTypeObject *type, PyObject *origin, PyObject *args, bool starred)
{
    if (PyTuple_Check(args)) Py_INCREF(args);
    else if (!(args = PyTuple_Pack(1, args))) return NULL;
    GenericAlias *a = ALIAS(type->tp_alloc(type, 0));
    if (!a) {
        Py_DECREF(args);
        return NULL;
    }
    a->origin = Py_NewRef(origin);
    a->args = args;
    a->starred = starred;
    a->vectorcall = alias_vectorcall;
    return OBJECT(a);
}

PyObject *Py_GenericAlias(PyObject *origin, PyObject *args) { return alias_new(&Py_GenericAliasType, origin, args, false); }

static PyObject *tp_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    PyObject *origin, *arguments;
    if (kwds && PyDict_GET_SIZE(kwds)) return PyErr_Format(PyExc_TypeError, "GenericAlias() takes no keyword arguments");
    if (!PyArg_UnpackTuple(args, "GenericAlias", 2, 2, &origin, &arguments)) return NULL;
    return alias_new(type, origin, arguments, false);
}

/* ---- what an alias does ------------------------------------------------------------------------------------------------------------------ */

static PyObject *parameters(GenericAlias *a)                   /* BORROWED */
{
    if (!a->parameters) a->parameters = typing_make_parameters(a->args);
    return a->parameters;
}

static PyObject *alias_getitem(PyObject *self, PyObject *item)
{
    GenericAlias *a = ALIAS(self);
    if (!parameters(a)) return NULL;
    PyObject *args = typing_substitute(self, a->args, a->parameters, item);
    if (!args) return NULL;
    PyObject *result = alias_new(&Py_GenericAliasType, a->origin, args, a->starred);
    Py_DECREF(args);
    return result;
}

static Py_hash_t alias_hash(PyObject *self)
{
    Py_hash_t h0 = stack_check() < 0 ? -1 : PyObject_Hash(ALIAS(self)->origin), h1;
    if (h0 == -1 || (h1 = PyObject_Hash(ALIAS(self)->args)) == -1) return -1;
    h0 ^= h1;
    return h0 == -1 ? -2 : h0;
}

/* Answered by the alias itself; everything else is the origin's. */
static const char *const own_attributes[] = {
    "__class__", "__bases__", "__origin__", "__args__", "__unpacked__", "__parameters__", "__typing_unpacked_tuple_args__",
    "__mro_entries__", "__reduce_ex__", "__reduce__", "__copy__", "__deepcopy__",
};

static PyObject *alias_getattro(PyObject *self, PyObject *name)
{
    if (PyUnicode_Check(name))
        for (size_t i = 0; i < ARRAY_LENGTH(own_attributes); i++)
            if (str_equal_ascii(name, own_attributes[i])) return PyObject_GenericGetAttr(self, name);
    return PyObject_GetAttr(ALIAS(self)->origin, name);
}

static PyObject *alias_richcompare(PyObject *a, PyObject *b, int op)
{
    if (!PyObject_TypeCheck(a, &Py_GenericAliasType) || !PyObject_TypeCheck(b, &Py_GenericAliasType) || (op != Py_EQ && op != Py_NE))
        Py_RETURN_NOTIMPLEMENTED;
    int equal = ALIAS(a)->starred == ALIAS(b)->starred;
    if (equal) equal = PyObject_RichCompareBool(ALIAS(a)->origin, ALIAS(b)->origin, Py_EQ);
    if (equal == 1) equal = PyObject_RichCompareBool(ALIAS(a)->args, ALIAS(b)->args, Py_EQ);
    return equal < 0 ? NULL : PyBool_FromLong(equal == (op == Py_EQ));
}

BUILTIN_O(alias, __mro_entries__, "($self, bases, /)", "The origin is the base of a class that names an alias.")
{
    (void)arg;
    return PyTuple_Pack(1, ALIAS(self)->origin);
}

BUILTIN_O(alias, __instancecheck__, "($self, instance, /)", "Not supported.")
{
    (void)self, (void)arg;
    return PyErr_Format(PyExc_TypeError, "isinstance() argument 2 cannot be a parameterized generic");
}

BUILTIN_O(alias, __subclasscheck__, "($self, subclass, /)", "Not supported.")
{
    (void)self, (void)arg;
    return PyErr_Format(PyExc_TypeError, "issubclass() argument 2 cannot be a parameterized generic");
}

static PyObject *builtin_function(const char *name)
{
    PyObject *builtins = PyEval_GetBuiltins();
    return builtins ? PyMapping_GetItemString(builtins, name) : NULL;
}

BUILTIN_NOARGS(alias, __reduce__, "($self, /)", "Helper for pickle.")
{
    GenericAlias *a = ALIAS(self);
    if (!a->starred) return Py_BuildValue("O(OO)", Py_TYPE(self), a->origin, a->args);
    PyObject *plain = Py_GenericAlias(a->origin, a->args), *it = plain ? PyObject_GetIter(plain) : NULL, *next = builtin_function("next");
    Py_XDECREF(plain);
    if (it && next) return Py_BuildValue("N(N)", next, it);
    Py_XDECREF(it);
    Py_XDECREF(next);
    return NULL;
}

BUILTIN_NOARGS(alias, __dir__, "($self, /)", "The names of the origin, and those of the alias itself.")
{
    PyObject *names = PyObject_Dir(ALIAS(self)->origin);
    for (size_t i = 0; names && i < ARRAY_LENGTH(own_attributes); i++) {
        PyObject *name = PyUnicode_FromString(own_attributes[i]);
        int there = name ? PySequence_Contains(names, name) : -1;
        if (there == 0) there = PyList_Append(names, name);
        Py_XDECREF(name);
        if (there < 0) Py_CLEAR(names);
    }
    return names;
}

static PyMethodDef alias_methods[] = {
    METHOD(alias, __mro_entries__), METHOD(alias, __instancecheck__), METHOD(alias, __subclasscheck__), METHOD(alias, __reduce__),
    METHOD(alias, __dir__), { NULL },
};

static PyMemberDef alias_members[] = {
    { "__origin__", _Py_T_OBJECT, offsetof(GenericAlias, origin), Py_READONLY, NULL },
    { "__args__", _Py_T_OBJECT, offsetof(GenericAlias, args), Py_READONLY, NULL },
    { "__unpacked__", Py_T_BOOL, offsetof(GenericAlias, starred), Py_READONLY, NULL },
    { NULL },
};

static PyObject *get_parameters(PyObject *self, void *Py_UNUSED(c)) { return Py_XNewRef(parameters(ALIAS(self))); }

static PyObject *get_unpacked_args(PyObject *self, void *Py_UNUSED(c))
{
    GenericAlias *a = ALIAS(self);
    return Py_NewRef(a->starred && a->origin == OBJECT(&PyTuple_Type) ? a->args : Py_None);
}

static PyGetSetDef alias_getset[] = {
    { "__parameters__", get_parameters, NULL, "Type variables in the GenericAlias.", NULL },
    { "__typing_unpacked_tuple_args__", get_unpacked_args, NULL, NULL, NULL },
    { NULL },
};

static void alias_dealloc(PyObject *self)
{
    GenericAlias *a = ALIAS(self);
    PyObject_GC_UnTrack(self);
    if (a->weaklist) PyObject_ClearWeakRefs(self);
    Py_XDECREF(a->origin);
    Py_XDECREF(a->args);
    Py_XDECREF(a->parameters);
    Py_TYPE(self)->tp_free(self);
}

static int alias_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(ALIAS(self)->origin);
    Py_VISIT(ALIAS(self)->args);
    Py_VISIT(ALIAS(self)->parameters);
    return 0;
}

/* ---- *list[int] ---------------------------------------------------------------------------------------------------------------------------- */

typedef struct AliasIterator {
    PyObject_HEAD
    PyObject *alias;                                          /* NULL: exhausted */
} AliasIterator;

#define ITERATOR(o) ((AliasIterator *)(o))

static PyObject *alias_iter(PyObject *self)
{
    AliasIterator *it = PyObject_GC_New(AliasIterator, &generic_alias_iter_type);
    if (!it) return NULL;
    it->alias = Py_NewRef(self);
    PyObject_GC_Track(it);
    return OBJECT(it);
}

static PyObject *iterator_next(PyObject *self)
{
    PyObject *alias = ITERATOR(self)->alias;
    if (!alias) return NULL;
    PyObject *starred = alias_new(&Py_GenericAliasType, ALIAS(alias)->origin, ALIAS(alias)->args, true);
    ITERATOR(self)->alias = NULL;
    Py_DECREF(alias);
    return starred;
}

static void iterator_dealloc(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    Py_XDECREF(ITERATOR(self)->alias);
    PyObject_GC_Del(self);
}

static int iterator_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(ITERATOR(self)->alias);
    return 0;
}

BUILTIN_NOARGS(alias_iterator, __reduce__, "($self, /)", "Helper for pickle.")
{
    PyObject *iter = builtin_function("iter");
    if (!iter) return NULL;
    if (ITERATOR(self)->alias) return Py_BuildValue("N(O)", iter, ITERATOR(self)->alias);
    return Py_BuildValue("N(())", iter);
}

static PyMethodDef iterator_methods[] = { METHOD(alias_iterator, __reduce__), { NULL } };

PyTypeObject generic_alias_iter_type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "generic_alias_iterator",
    .tp_basicsize = sizeof(AliasIterator),
    .tp_dealloc = iterator_dealloc,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = iterator_traverse,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = iterator_next,
    .tp_methods = iterator_methods,
};

static PyNumberMethods alias_as_number = { .nb_or = union_or };
static PyMappingMethods alias_as_mapping = { .mp_subscript = alias_getitem };

PyTypeObject Py_GenericAliasType = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "types.GenericAlias",
    .tp_basicsize = sizeof(GenericAlias),
    .tp_dealloc = alias_dealloc,
    .tp_vectorcall_offset = offsetof(GenericAlias, vectorcall),
    .tp_repr = alias_repr,
    .tp_as_number = &alias_as_number,
    .tp_as_mapping = &alias_as_mapping,
    .tp_hash = alias_hash,
    .tp_call = PyVectorcall_Call,
    .tp_getattro = alias_getattro,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_VECTORCALL,
    .tp_doc = "GenericAlias(origin, args, /)\n--\n\nA class with type arguments, as list[int] is.",
    .tp_traverse = alias_traverse,
    .tp_richcompare = alias_richcompare,
    .tp_weaklistoffset = offsetof(GenericAlias, weaklist),
    .tp_iter = alias_iter,
    .tp_methods = alias_methods,
    .tp_members = alias_members,
    .tp_getset = alias_getset,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = tp_new,
    .tp_free = PyObject_GC_Del,
};
