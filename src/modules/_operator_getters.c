/* operator.itemgetter, attrgetter and methodcaller: callables that remember what to fetch. Immutable once made. */
#include "modules/_operator.h"

#include <structmember.h>

static PyObject *instance_signature(PyObject *Py_UNUSED(self), void *Py_UNUSED(closure)) { return PyUnicode_FromString("(obj, /)"); }
static PyGetSetDef signature_getset[] = { { "__text_signature__", instance_signature, NULL, NULL, NULL }, { 0 } };

#define GETTER_FLAGS (Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_HAVE_VECTORCALL)
#define VECTORCALL_MEMBER(Struct) \
    { "__vectorcalloffset__", Py_T_PYSSIZET, offsetof(Struct, vectorcall), Py_READONLY, NULL }

/* The one argument of a call. NULL with TypeError. */
static PyObject *only_argument(const char *name, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    if (refuse_keyword_names(name, kwnames) < 0 || check_count(name, PyVectorcall_NARGS(nargsf), 1, 1) < 0) return NULL;
    return args[0];
}

/* ---- itemgetter ------------------------------------------------------------------------------------------------------------ */

typedef struct ItemGetter {
    PyObject_HEAD
    Py_ssize_t n;
    PyObject *item;                           /* the key, or a tuple of n keys when n > 1 */
    Py_ssize_t index;                         /* of a single small int key: direct access to tuples; else -1 */
    vectorcallfunc vectorcall;
} ItemGetter;

static PyObject *itemgetter_fetch(ItemGetter *self, PyObject *obj)
{
    if (self->n == 1) {
        if (self->index >= 0 && PyTuple_CheckExact(obj) && self->index < PyTuple_GET_SIZE(obj))
            return Py_NewRef(PyTuple_GET_ITEM(obj, self->index));
        return PyObject_GetItem(obj, self->item);
    }
    PyObject *result = PyTuple_New(self->n);
    for (Py_ssize_t i = 0; result && i < self->n; i++) {
        PyObject *value = PyObject_GetItem(obj, PyTuple_GET_ITEM(self->item, i));
        if (value) PyTuple_SET_ITEM(result, i, value);
        else Py_CLEAR(result);
    }
    return result;
}

static PyObject *itemgetter_vectorcall(PyObject *self, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    PyObject *obj = only_argument("itemgetter", args, nargsf, kwnames);
    return obj ? itemgetter_fetch((ItemGetter *)self, obj) : NULL;
}

static PyObject *itemgetter_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    Py_ssize_t n = PyTuple_GET_SIZE(args);
    if (refuse_keywords("itemgetter", kwargs) < 0) return NULL;
    if (n == 0) {
        PyErr_SetString(PyExc_TypeError, "itemgetter expected 1 argument, got 0");
        return NULL;
    }
    ItemGetter *self = (ItemGetter *)type->tp_alloc(type, 0);
    if (!self) return NULL;
    self->n = n;
    self->item = Py_NewRef(n == 1 ? PyTuple_GET_ITEM(args, 0) : args);
    self->index = -1;
    if (n == 1 && PyLong_CheckExact(self->item)) {
        self->index = PyLong_AsSsize_t(self->item);
        if (self->index < 0) {
            PyErr_Clear();
            self->index = -1;
        }
    }
    self->vectorcall = itemgetter_vectorcall;
    return (PyObject *)self;
}

static int itemgetter_traverse(PyObject *o, visitproc visit, void *arg)
{
    VISIT_TYPE(o);
    Py_VISIT(((ItemGetter *)o)->item);
    return 0;
}

static int itemgetter_clear(PyObject *o)
{
    Py_CLEAR(((ItemGetter *)o)->item);
    return 0;
}

static void itemgetter_dealloc(PyObject *o)
{
    PyObject_GC_UnTrack(o);
    itemgetter_clear(o);
    free_instance(o);
}

/* "operator.itemgetter('a', 'b')" */
static PyObject *getter_repr(PyObject *o, PyObject *item, Py_ssize_t n)
{
    int entered = Py_ReprEnter(o);
    if (entered) return entered > 0 ? PyUnicode_FromFormat("%s(...)", Py_TYPE(o)->tp_name) : NULL;
    PyObject *text = PyUnicode_FromFormat(n == 1 ? "%s(%R)" : "%s%R", Py_TYPE(o)->tp_name, item);
    Py_ReprLeave(o);
    return text;
}

static PyObject *itemgetter_repr(PyObject *o) { return getter_repr(o, ((ItemGetter *)o)->item, ((ItemGetter *)o)->n); }

BUILTIN_NOARGS(itemgetter, __reduce__, "($self, /)", "Return state information for pickling")
{
    ItemGetter *g = (ItemGetter *)self;
    return Py_BuildValue(g->n == 1 ? "O(O)" : "OO", Py_TYPE(self), g->item);
}

static PyMethodDef itemgetter_methods[] = { METHOD(itemgetter, __reduce__), { 0 } };
static PyMemberDef itemgetter_members[] = { VECTORCALL_MEMBER(ItemGetter), { 0 } };

static PyType_Slot itemgetter_slots[] = {
    { Py_tp_doc, "itemgetter(item, /, *items)\n--\n\nReturn a callable object that fetches the given item(s) from its operand.\n"
                 "After f = itemgetter(2), the call f(r) returns r[2].\nAfter g = itemgetter(2, 5, 3), the call g(r) returns (r[2], r[5], r[3])" },
    SLOT(tp_dealloc, itemgetter_dealloc), SLOT(tp_call, PyVectorcall_Call), SLOT(tp_traverse, itemgetter_traverse),
    SLOT(tp_clear, itemgetter_clear), SLOT(tp_methods, itemgetter_methods), SLOT(tp_members, itemgetter_members),
    SLOT(tp_getset, signature_getset), SLOT(tp_new, itemgetter_new), SLOT(tp_getattro, PyObject_GenericGetAttr),
    SLOT(tp_repr, itemgetter_repr), { 0, NULL },
};
PyType_Spec itemgetter_spec = { "operator.itemgetter", sizeof(ItemGetter), 0, GETTER_FLAGS, itemgetter_slots };

/* ---- attrgetter -------------------------------------------------------------------------------------------------------------- */

typedef struct AttrGetter {
    PyObject_HEAD
    Py_ssize_t n;
    PyObject *attrs;                          /* tuple of n: an interned str, or for a dotted name a tuple of them */
    vectorcallfunc vectorcall;
} AttrGetter;

static PyObject *follow(PyObject *obj, PyObject *attr)
{
    if (PyUnicode_CheckExact(attr)) return PyObject_GetAttr(obj, attr);
    Py_INCREF(obj);
    for (Py_ssize_t i = 0; obj && i < PyTuple_GET_SIZE(attr); i++) {
        PyObject *next = PyObject_GetAttr(obj, PyTuple_GET_ITEM(attr, i));
        Py_DECREF(obj);
        obj = next;
    }
    return obj;
}

static PyObject *attrgetter_vectorcall(PyObject *o, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    AttrGetter *self = (AttrGetter *)o;
    PyObject *obj = only_argument("attrgetter", args, nargsf, kwnames);
    if (!obj) return NULL;
    if (self->n == 1) return follow(obj, PyTuple_GET_ITEM(self->attrs, 0));
    PyObject *result = PyTuple_New(self->n);
    for (Py_ssize_t i = 0; result && i < self->n; i++) {
        PyObject *value = follow(obj, PyTuple_GET_ITEM(self->attrs, i));
        if (value) PyTuple_SET_ITEM(result, i, value);
        else Py_CLEAR(result);
    }
    return result;
}

/* The name as follow() wants it. New reference. */
static PyObject *prepare_name(PyObject *name)
{
    Py_ssize_t n = PyUnicode_GET_LENGTH(name), dot = PyUnicode_FindChar(name, '.', 0, n, 1);
    if (dot == -2) return NULL;
    if (dot < 0) {
        PyObject *plain = PyUnicode_FromObject(name);      /* exact, so that follow() knows it */
        if (plain) PyUnicode_InternInPlace(&plain);
        return plain;
    }
    PyObject *separator = PyUnicode_FromString("."), *parts = separator ? PyUnicode_Split(name, separator, -1) : NULL, *tuple = NULL;
    for (Py_ssize_t i = 0; parts && i < PyList_GET_SIZE(parts); i++) PyUnicode_InternInPlace(&((PyListObject *)parts)->ob_item[i]);
    if (parts) tuple = PyList_AsTuple(parts);
    Py_XDECREF(separator);
    Py_XDECREF(parts);
    return tuple;
}

static PyObject *attrgetter_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    Py_ssize_t n = PyTuple_GET_SIZE(args);
    if (refuse_keywords("attrgetter", kwargs) < 0) return NULL;
    if (n == 0) {
        PyErr_SetString(PyExc_TypeError, "attrgetter expected 1 argument, got 0");
        return NULL;
    }
    PyObject *attrs = PyTuple_New(n);
    if (!attrs) return NULL;
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *name = PyTuple_GET_ITEM(args, i), *prepared;
        if (!PyUnicode_Check(name)) {
            PyErr_SetString(PyExc_TypeError, "attribute name must be a string");
            goto fail;
        }
        if (!(prepared = prepare_name(name))) goto fail;
        PyTuple_SET_ITEM(attrs, i, prepared);
    }
    AttrGetter *self = (AttrGetter *)type->tp_alloc(type, 0);
    if (!self) goto fail;
    self->n = n;
    self->attrs = attrs;
    self->vectorcall = attrgetter_vectorcall;
    return (PyObject *)self;
fail:
    Py_DECREF(attrs);
    return NULL;
}

static int attrgetter_traverse(PyObject *o, visitproc visit, void *arg)
{
    VISIT_TYPE(o);
    Py_VISIT(((AttrGetter *)o)->attrs);
    return 0;
}

static int attrgetter_clear(PyObject *o)
{
    Py_CLEAR(((AttrGetter *)o)->attrs);
    return 0;
}

static void attrgetter_dealloc(PyObject *o)
{
    PyObject_GC_UnTrack(o);
    attrgetter_clear(o);
    free_instance(o);
}

/* The names as they were given, a tuple of n. */
static PyObject *attrgetter_names(AttrGetter *self)
{
    PyObject *names = PyTuple_New(self->n), *dot = names ? PyUnicode_FromString(".") : NULL;
    for (Py_ssize_t i = 0; dot && i < self->n; i++) {
        PyObject *attr = PyTuple_GET_ITEM(self->attrs, i);
        PyObject *name = PyUnicode_CheckExact(attr) ? Py_NewRef(attr) : PyUnicode_Join(dot, attr);
        if (!name) Py_CLEAR(dot);
        else PyTuple_SET_ITEM(names, i, name);
    }
    if (!dot) Py_CLEAR(names);
    Py_XDECREF(dot);
    return names;
}

static PyObject *attrgetter_repr(PyObject *o)
{
    PyObject *names = attrgetter_names((AttrGetter *)o);
    if (!names) return NULL;
    Py_ssize_t n = PyTuple_GET_SIZE(names);
    PyObject *text = getter_repr(o, n == 1 ? PyTuple_GET_ITEM(names, 0) : names, n);
    Py_DECREF(names);
    return text;
}

BUILTIN_NOARGS(attrgetter, __reduce__, "($self, /)", "Return state information for pickling")
{
    PyObject *names = attrgetter_names((AttrGetter *)self);
    return names ? Py_BuildValue("ON", Py_TYPE(self), names) : NULL;
}

static PyMethodDef attrgetter_methods[] = { METHOD(attrgetter, __reduce__), { 0 } };
static PyMemberDef attrgetter_members[] = { VECTORCALL_MEMBER(AttrGetter), { 0 } };

static PyType_Slot attrgetter_slots[] = {
    { Py_tp_doc, "attrgetter(attr, /, *attrs)\n--\n\nReturn a callable object that fetches the given attribute(s) from its operand.\n"
                 "After f = attrgetter('name'), the call f(r) returns r.name.\n"
                 "After g = attrgetter('name', 'date'), the call g(r) returns (r.name, r.date).\n"
                 "After h = attrgetter('name.first', 'name.last'), the call h(r) returns\n(r.name.first, r.name.last)." },
    SLOT(tp_dealloc, attrgetter_dealloc), SLOT(tp_call, PyVectorcall_Call), SLOT(tp_traverse, attrgetter_traverse),
    SLOT(tp_clear, attrgetter_clear), SLOT(tp_methods, attrgetter_methods), SLOT(tp_members, attrgetter_members),
    SLOT(tp_getset, signature_getset), SLOT(tp_new, attrgetter_new), SLOT(tp_getattro, PyObject_GenericGetAttr),
    SLOT(tp_repr, attrgetter_repr), { 0, NULL },
};
PyType_Spec attrgetter_spec = { "operator.attrgetter", sizeof(AttrGetter), 0, GETTER_FLAGS, attrgetter_slots };

/* ---- methodcaller ---------------------------------------------------------------------------------------------------------------- */

typedef struct MethodCaller {
    PyObject_HEAD
    PyObject *name;
    PyObject *args;                           /* tuple: name, then the positional arguments */
    PyObject *kwargs;                         /* dict or NULL */
    PyObject **vector;                        /* free place for self, positional arguments, values of the keywords; borrowed */
    PyObject *kwnames;                        /* tuple or NULL */
    vectorcallfunc vectorcall;
} MethodCaller;

static PyObject *methodcaller_vectorcall(PyObject *o, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    MethodCaller *self = (MethodCaller *)o;
    enum { ON_STACK = 8 };
    if (UNLIKELY(check_count("methodcaller", PyVectorcall_NARGS(nargsf), 1, 1) < 0)) return NULL;     /* before keywords, unlike the others */
    PyObject *obj = only_argument("methodcaller", args, nargsf, kwnames), *small[ON_STACK];
    if (!obj) return NULL;
    Py_ssize_t positional = PyTuple_GET_SIZE(self->args), n = positional + (self->kwnames ? PyTuple_GET_SIZE(self->kwnames) : 0);
    /* A copy: the call may be entered again before it returns. */
    PyObject **vector = n <= ON_STACK ? small : PyMem_Malloc((size_t)n * sizeof(PyObject *));
    if (!vector) return PyErr_NoMemory();
    memcpy(vector, self->vector, (size_t)n * sizeof(PyObject *));
    vector[0] = obj;
    PyObject *result = PyObject_VectorcallMethod(self->name, vector, (size_t)positional | PY_VECTORCALL_ARGUMENTS_OFFSET, self->kwnames);
    if (vector != small) PyMem_Free(vector);
    return result;
}

static int methodcaller_clear(PyObject *o)
{
    MethodCaller *self = (MethodCaller *)o;
    Py_CLEAR(self->name);
    Py_CLEAR(self->args);
    Py_CLEAR(self->kwargs);
    Py_CLEAR(self->kwnames);
    return 0;
}

static void methodcaller_dealloc(PyObject *o)
{
    PyObject_GC_UnTrack(o);
    methodcaller_clear(o);
    PyMem_Free(((MethodCaller *)o)->vector);
    free_instance(o);
}

static PyObject *methodcaller_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    Py_ssize_t positional = PyTuple_GET_SIZE(args), keywords = kwargs ? PyDict_GET_SIZE(kwargs) : 0, at = 0, i = 0;
    if (positional < 1) {
        PyErr_SetString(PyExc_TypeError, "methodcaller needs at least one argument, the method name");
        return NULL;
    }
    if (!PyUnicode_Check(PyTuple_GET_ITEM(args, 0))) {
        PyErr_SetString(PyExc_TypeError, "method name must be a string");
        return NULL;
    }
    MethodCaller *self = (MethodCaller *)type->tp_alloc(type, 0);
    if (!self) return NULL;
    self->name = Py_NewRef(PyTuple_GET_ITEM(args, 0));
    PyUnicode_InternInPlace(&self->name);
    self->args = Py_NewRef(args);
    self->vectorcall = methodcaller_vectorcall;
    if (!(self->vector = PyMem_Malloc((size_t)(positional + keywords) * sizeof(PyObject *)))) {
        PyErr_NoMemory();
        goto fail;
    }
    for (Py_ssize_t k = 0; k < positional; k++) self->vector[k] = PyTuple_GET_ITEM(args, k);
    if (keywords) {
        PyObject *key, *value;
        if (!(self->kwargs = PyDict_Copy(kwargs)) || !(self->kwnames = PyTuple_New(keywords))) goto fail;
        while (PyDict_Next(self->kwargs, &at, &key, &value)) {
            PyTuple_SET_ITEM(self->kwnames, i, Py_NewRef(key));
            self->vector[positional + i++] = value;        /* self->kwargs holds it, and nobody changes that */
        }
    }
    return (PyObject *)self;
fail:
    Py_DECREF(self);
    return NULL;
}

static int methodcaller_traverse(PyObject *o, visitproc visit, void *arg)
{
    MethodCaller *self = (MethodCaller *)o;
    VISIT_TYPE(o);
    Py_VISIT(self->args);
    Py_VISIT(self->kwargs);
    return 0;
}

/* "operator.methodcaller('f', 1, x=2)" */
static PyObject *methodcaller_repr(PyObject *o)
{
    MethodCaller *self = (MethodCaller *)o;
    int entered = Py_ReprEnter(o);
    if (entered) return entered > 0 ? PyUnicode_FromFormat("%s(...)", Py_TYPE(o)->tp_name) : NULL;
    PyObject *result = NULL, *separator = NULL, *inside = NULL, *parts = PyList_New(0), *key, *value;
    if (!parts) goto done;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(self->args); i++) {
        PyObject *part = PyObject_Repr(PyTuple_GET_ITEM(self->args, i));
        int status = part ? PyList_Append(parts, part) : -1;
        Py_XDECREF(part);
        if (status < 0) goto done;
    }
    for (Py_ssize_t at = 0; self->kwargs && PyDict_Next(self->kwargs, &at, &key, &value);) {
        PyObject *part = PyUnicode_FromFormat("%U=%R", key, value);
        int status = part ? PyList_Append(parts, part) : -1;
        Py_XDECREF(part);
        if (status < 0) goto done;
    }
    if ((separator = PyUnicode_FromString(", ")) && (inside = PyUnicode_Join(separator, parts)))
        result = PyUnicode_FromFormat("%s(%U)", Py_TYPE(o)->tp_name, inside);
done:
    Py_XDECREF(separator);
    Py_XDECREF(inside);
    Py_XDECREF(parts);
    Py_ReprLeave(o);
    return result;
}

/* With keywords: functools.partial(type, name, **kwargs) makes it from the positional arguments. */
BUILTIN_NOARGS(methodcaller, __reduce__, "($self, /)", "Return state information for pickling")
{
    MethodCaller *m = (MethodCaller *)self;
    if (!m->kwargs) return PyTuple_Pack(2, Py_TYPE(self), m->args);
    PyObject *functools = PyImport_ImportModule("functools"), *partial, *pair, *constructor = NULL, *rest;
    if (!functools) return NULL;
    partial = PyObject_GetAttrString(functools, "partial");
    Py_DECREF(functools);
    if (!partial) return NULL;
    if ((pair = PyTuple_Pack(2, Py_TYPE(self), m->name))) {
        constructor = PyObject_Call(partial, pair, m->kwargs);
        Py_DECREF(pair);
    }
    Py_DECREF(partial);
    if (!constructor) return NULL;
    if (!(rest = PyTuple_GetSlice(m->args, 1, PyTuple_GET_SIZE(m->args)))) {
        Py_DECREF(constructor);
        return NULL;
    }
    return Py_BuildValue("NN", constructor, rest);
}

static PyMethodDef methodcaller_methods[] = { METHOD(methodcaller, __reduce__), { 0 } };
static PyMemberDef methodcaller_members[] = { VECTORCALL_MEMBER(MethodCaller), { 0 } };

static PyType_Slot methodcaller_slots[] = {
    { Py_tp_doc, "methodcaller(name, /, *args, **kwargs)\n--\n\nReturn a callable object that calls the given method on its operand.\n"
                 "After f = methodcaller('name'), the call f(r) returns r.name().\n"
                 "After g = methodcaller('name', 'date', foo=1), the call g(r) returns\nr.name('date', foo=1)." },
    SLOT(tp_dealloc, methodcaller_dealloc), SLOT(tp_call, PyVectorcall_Call), SLOT(tp_traverse, methodcaller_traverse),
    SLOT(tp_clear, methodcaller_clear), SLOT(tp_methods, methodcaller_methods), SLOT(tp_members, methodcaller_members),
    SLOT(tp_getset, signature_getset), SLOT(tp_new, methodcaller_new), SLOT(tp_getattro, PyObject_GenericGetAttr),
    SLOT(tp_repr, methodcaller_repr), { 0, NULL },
};
PyType_Spec methodcaller_spec = { "operator.methodcaller", sizeof(MethodCaller), 0, GETTER_FLAGS, methodcaller_slots };
