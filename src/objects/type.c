/* The type `type`: calling a class, attribute access on classes, life and death of class objects.
 *
 * See type.h for where the rest is: PyType_Ready, class creation, slots, MRO, lookup. */
#include "objects/type.h"

#include "capi/args.h"
#include "objects/instance.h"
#include "objects/unicode.h"

/* ---- calling --------------------------------------------------------------------------------------------------- */

COLD static PyObject *cannot_create(PyTypeObject *type)
{
    PyErr_Format(PyExc_TypeError, "cannot create '%s' instances", type->tp_name);
    return NULL;
}

static PyObject *initialize(PyTypeObject *type, PyObject *o, PyObject *args, PyObject *kwds)
{
    if (!o || !PyObject_TypeCheck(o, type)) return o;        /* __new__ may return anything */
    type = Py_TYPE(o);
    if (type->tp_init && type->tp_init(o, args, kwds) < 0) Py_CLEAR(o);
    assert(!o == !!PyErr_Occurred());
    return o;
}

PyObject *type_call(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    if (type == &PyType_Type) {
        Py_ssize_t n = PyTuple_GET_SIZE(args);
        if (n == 1 && (!kwds || PyDict_GET_SIZE(kwds) == 0)) return Py_NewRef(Py_TYPE(PyTuple_GET_ITEM(args, 0)));
        if (n != 3) {
            PyErr_SetString(PyExc_TypeError, "type() takes 1 or 3 arguments");
            return NULL;
        }
    }
    if (!type->tp_new) return cannot_create(type);
    return initialize(type, type->tp_new(type, args, kwds), args, kwds);
}

/* type(x) and type(name, bases, dict) */
static PyObject *type_vectorcall(PyObject *metatype, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    if (nargs == 1 && metatype == OBJECT(&PyType_Type)) {
        if (kwnames && PyTuple_GET_SIZE(kwnames)) {
            PyErr_SetString(PyExc_TypeError, "type() takes no keyword arguments");
            return NULL;
        }
        return Py_NewRef(Py_TYPE(args[0]));
    }
    PyObject *tuple = PyTuple_New(nargs), *kwds = NULL, *result = NULL;
    if (!tuple) return NULL;
    for (Py_ssize_t i = 0; i < nargs; i++) PyTuple_SET_ITEM(tuple, i, Py_NewRef(args[i]));
    if (kwnames && PyTuple_GET_SIZE(kwnames)) {
        if (!(kwds = PyDict_New())) goto done;
        for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(kwnames); i++)
            if (PyDict_SetItem(kwds, PyTuple_GET_ITEM(kwnames, i), args[nargs + i]) < 0) goto done;
    }
    result = type_call((PyTypeObject *)metatype, tuple, kwds);
done:
    Py_XDECREF(kwds);
    Py_DECREF(tuple);
    return result;
}

/* __init__(self, *args) of a new object, without building a tuple. Steals self. */
static PyObject *call_python_init(PyObject *self, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    int unbound;
    PyObject *init = type_lookup_special(self, STR(__init__), &unbound), *result = NULL;
    if (!init) {
        if (!PyErr_Occurred()) PyErr_SetObject(PyExc_AttributeError, STR(__init__));
        goto done;
    }
    if (!unbound) result = PyObject_Vectorcall(init, args, nargsf, kwnames);
    else if (nargsf & PY_VECTORCALL_ARGUMENTS_OFFSET) {      /* the caller lends the slot before the arguments */
        PyObject **stack = (PyObject **)args - 1, *lent = stack[0];
        stack[0] = self;
        result = PyObject_Vectorcall(init, stack, (size_t)PyVectorcall_NARGS(nargsf) + 1, kwnames);
        stack[0] = lent;
    }
    else {
        PyObject *small[8], **stack = small;
        size_t n = (size_t)PyVectorcall_NARGS(nargsf), total = n + (kwnames ? (size_t)PyTuple_GET_SIZE(kwnames) : 0);
        if (total + 1 > ARRAY_LENGTH(small) && !(stack = PyMem_New(PyObject *, total + 1))) {
            PyErr_NoMemory();
            goto done;
        }
        stack[0] = self;
        if (total) memcpy(stack + 1, args, total * sizeof *stack);
        result = PyObject_Vectorcall(init, stack, n + 1, kwnames);
        if (stack != small) PyMem_Free(stack);
    }
    if (result && UNLIKELY(result != Py_None)) {
        PyErr_Format(PyExc_TypeError, "__init__() should return None, not '%.200s'", Py_TYPE(result)->tp_name);
        Py_CLEAR(result);
    }
done:
    Py_XDECREF(init);
    if (!result) {
        Py_DECREF(self);
        return NULL;
    }
    Py_DECREF(result);
    return self;
}

/* tp_vectorcall of classes made by the class statement. Looks at the slots at each call: they may change. */
PyObject *class_vectorcall(PyObject *callable, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    PyTypeObject *type = (PyTypeObject *)callable;
    if (LIKELY(type->tp_new == object_new && type->tp_alloc == PyType_GenericAlloc && !(type->tp_flags & Py_TPFLAGS_IS_ABSTRACT))) {
        if (LIKELY(type->tp_init == slot_tp_init)) {
            PyObject *o = PyType_GenericAlloc(type, 0);
            return o ? call_python_init(o, args, nargsf, kwnames) : NULL;
        }
        if (type->tp_init == object_init && PyVectorcall_NARGS(nargsf) == 0 && (!kwnames || !PyTuple_GET_SIZE(kwnames)))
            return PyType_GenericAlloc(type, 0);
    }
    return type_vectorcall(callable, args, nargsf, kwnames);
}

/* ---- attributes of classes --------------------------------------------------------------------------------------- */

PyObject *type_getattr(PyTypeObject *type, PyObject *name, bool suppress)
{
    PyTypeObject *meta = Py_TYPE(type);
    if (!PyUnicode_Check(name)) {
        PyErr_Format(PyExc_TypeError, "attribute name must be string, not '%.200s'", Py_TYPE(name)->tp_name);
        return NULL;
    }
    if (!type_is_ready(type) && PyType_Ready(type) < 0) return NULL;
    PyObject *meta_attr = type_lookup(meta, name), *attr, *result;
    descrgetfunc meta_get = NULL;
    if (meta_attr) {
        Py_INCREF(meta_attr);
        meta_get = Py_TYPE(meta_attr)->tp_descr_get;
        if (meta_get && Py_TYPE(meta_attr)->tp_descr_set) {
            result = meta_get(meta_attr, OBJECT(type), OBJECT(Py_TYPE(type)));      /* a hostile key may have changed that */
            Py_DECREF(meta_attr);
            goto found;
        }
    }
    if ((attr = type_lookup(type, name))) {
        Py_XDECREF(meta_attr);
        Py_INCREF(attr);
        descrgetfunc get = Py_TYPE(attr)->tp_descr_get;
        if (!get) return attr;
        result = get(attr, NULL, OBJECT(type));             /* NULL: found on the class itself */
        Py_DECREF(attr);
        goto found;
    }
    if (meta_get) {
        result = meta_get(meta_attr, OBJECT(type), OBJECT(Py_TYPE(type)));
        Py_DECREF(meta_attr);
        goto found;
    }
    if (meta_attr) return meta_attr;
    if (!suppress) {
        PyErr_Format(PyExc_AttributeError, "type object '%.100s' has no attribute '%U'", type->tp_name, name);
        attribute_error_set_context(OBJECT(type), name);
    }
    return NULL;
found:
    if (!result && suppress && PyErr_ExceptionMatches(PyExc_AttributeError)) PyErr_Clear();
    return result;
}

static PyObject *type_getattro(PyObject *type, PyObject *name) { return type_getattr((PyTypeObject *)type, name, false); }

static int type_setattro(PyObject *self, PyObject *name, PyObject *value)
{
    PyTypeObject *type = (PyTypeObject *)self;
    if (type->tp_flags & Py_TPFLAGS_IMMUTABLETYPE) {
        PyErr_Format(PyExc_TypeError, "cannot set %R attribute of immutable type '%s'", name, type->tp_name);
        return -1;
    }
    if (!PyUnicode_Check(name)) {
        PyErr_Format(PyExc_TypeError, "attribute name must be string, not '%.200s'", Py_TYPE(name)->tp_name);
        return -1;
    }
    if (PyUnicode_CheckExact(name)) {
        Py_INCREF(name);
        PyUnicode_InternInPlace(&name);
    }
    else if (!(name = PyUnicode_FromObject(name))) return -1; /* a plain str, so that slots are recognised */
    PyTypeObject *meta = Py_TYPE(type);
    PyObject *descr = type_lookup(meta, name);
    int status = -1;
    if (descr && Py_TYPE(descr)->tp_descr_set) {
        Py_INCREF(descr);
        status = Py_TYPE(descr)->tp_descr_set(descr, self, value);
        Py_DECREF(descr);
        Py_DECREF(name);
        return status;
    }
    /* The old value dies only after caches are gone and slots are right. */
    PyObject *old = NULL;
    if (UNLIKELY(!type->tp_dict) && !(type->tp_dict = PyDict_New())) goto done;    /* a type made by hand, and not ready yet */
    if (PyDict_GetItemRef(type->tp_dict, name, &old) < 0) goto done;
    if (!value && !old) {
        PyErr_Format(PyExc_AttributeError, "type object '%.100s' has no attribute '%U'", type->tp_name, name);
        attribute_error_set_context(self, name);
        goto done;
    }
    PyType_Modified(type);
    status = value ? PyDict_SetItem(type->tp_dict, name, value) : PyDict_DelItem(type->tp_dict, name);
    PyType_Modified(type);
    if (status == 0 && type_is_slot_name(name)) status = type_update_slot(type, name);
    if (name == STR(__get__) || name == STR(__set__) || name == STR(__delete__)) type_forget_all_versions();
done:
    Py_XDECREF(old);
    Py_DECREF(name);
    return status;
}

/* ---- life ------------------------------------------------------------------------------------------------------ */

static void type_dealloc(PyObject *self)
{
    PyTypeObject *type = (PyTypeObject *)self;
    PyHeapTypeObject *heap = (PyHeapTypeObject *)self;
    assert(type->tp_flags & Py_TPFLAGS_HEAPTYPE);
    PyObject_GC_UnTrack(self);
    PyObject *saved = PyErr_GetRaisedException();
    for (Py_ssize_t i = 0; type->tp_bases && i < PyTuple_GET_SIZE(type->tp_bases); i++) {
        PyObject *base = PyTuple_GET_ITEM(type->tp_bases, i);
        if (PyType_Check(base)) type_remove_subclass((PyTypeObject *)base, type);
    }
    PyObject_ClearWeakRefs(self);
    type_extra_free(type);
    Py_XDECREF(type->tp_base);
    Py_XDECREF(type->tp_dict);
    Py_XDECREF(type->tp_bases);
    Py_XDECREF(type->tp_mro);
    Py_XDECREF(type->tp_cache);
    PyMem_Free(type->tp_subclasses);
    PyMem_Free((char *)type->tp_doc);
    Py_XDECREF(heap->ht_name);
    Py_XDECREF(heap->ht_qualname);
    Py_XDECREF(heap->ht_slots);
    Py_XDECREF(heap->ht_module);
    PyMem_Free(heap->_ht_tpname);
    PyErr_SetRaisedException(saved);
    Py_TYPE(type)->tp_free(self);
}

static int type_traverse(PyObject *self, visitproc visit, void *arg)
{
    PyTypeObject *type = (PyTypeObject *)self;
    if (!(type->tp_flags & Py_TPFLAGS_HEAPTYPE)) return 0;
    Py_VISIT(type->tp_dict);
    Py_VISIT(type->tp_cache);
    Py_VISIT(type->tp_mro);
    Py_VISIT(type->tp_bases);
    Py_VISIT(type->tp_base);
    Py_VISIT(((PyHeapTypeObject *)type)->ht_module);
    /* ht_slots holds only strings */
    return 0;
}

static int type_clear(PyObject *self)
{
    PyTypeObject *type = (PyTypeObject *)self;
    if (!(type->tp_flags & Py_TPFLAGS_HEAPTYPE)) return 0;
    /* Other parts cannot be in a cycle by themselves, and instances that die later still need them: tp_base, tp_bases. */
    PyType_Modified(type);
    if (type->tp_dict) PyDict_Clear(type->tp_dict);
    Py_CLEAR(((PyHeapTypeObject *)type)->ht_module);
    Py_CLEAR(type->tp_mro);
    return 0;
}

static int type_is_gc(PyObject *self) { return ((PyTypeObject *)self)->tp_flags & Py_TPFLAGS_HEAPTYPE ? 1 : 0; }

static int type_init(PyObject *self, PyObject *args, PyObject *kwds)
{
    (void)self;
    Py_ssize_t n = PyTuple_GET_SIZE(args);
    if (kwds && n == 1 && PyDict_GET_SIZE(kwds)) {
        PyErr_SetString(PyExc_TypeError, "type.__init__() takes no keyword arguments");
        return -1;
    }
    if (n != 1 && n != 3) {
        PyErr_SetString(PyExc_TypeError, "type.__init__() takes 1 or 3 arguments");
        return -1;
    }
    return 0;
}

static PyObject *type_repr(PyObject *self)
{
    PyTypeObject *type = (PyTypeObject *)self;
    if (!type->tp_name) return PyUnicode_FromFormat("<class at %p>", type);
    PyObject *module = NULL, *qualname = NULL, *result = NULL;
    module = PyType_GetModuleName(type);
    if (!module || !PyUnicode_Check(module)) {
        if (!module) PyErr_Clear();
        Py_CLEAR(module);
    }
    if (!(qualname = PyType_GetQualName(type))) goto done;
    if (module && !str_equal(module, STR(builtins))) result = PyUnicode_FromFormat("<class '%U.%U'>", module, qualname);
    else result = PyUnicode_FromFormat("<class '%s'>", type->tp_name);
done:
    Py_XDECREF(module);
    Py_XDECREF(qualname);
    return result;
}

/* ---- methods ----------------------------------------------------------------------------------------------------- */

BUILTIN_NOARGS(type, mro, "($self, /)", "Return a type's method resolution order.") { return type_mro_plain((PyTypeObject *)self); }

BUILTIN_NOARGS(type, __subclasses__, "($self, /)", "Return a list of immediate subclasses.")
{
    PyObject *list = PyList_New(0);
    for (Py_ssize_t i = 0; list; i++) {
        SubclassList *s = *type_subclass_slot((PyTypeObject *)self);
        if (!s || i >= s->count) break;
        if (Py_REFCNT(s->items[i]) > 0 && PyList_Append(list, OBJECT(s->items[i])) < 0) Py_CLEAR(list);
    }
    return list;
}

BUILTIN_FAST(type, __prepare__, "($cls, name, bases, /, **kwds)", "Create the namespace for the class statement")
{
    (void)self, (void)args, (void)nargs;
    return PyDict_New();
}

static PyObject *type_prepare(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    (void)kwnames;
    return type___prepare__(self, args, nargs);
}

/* The machinery behind isinstance and issubclass when no class overrides it. */
static PyObject *abstract_get_bases(PyObject *cls)
{
    PyObject *bases;
    if (PyObject_GetOptionalAttr(cls, STR(__bases__), &bases) <= 0) return NULL;
    if (!PyTuple_Check(bases)) Py_CLEAR(bases);
    return bases;
}

BUILTIN_O(type, __instancecheck__, "($self, instance, /)", "Check if an object is an instance.")
{
    int r = PyObject_TypeCheck(arg, (PyTypeObject *)self);
    if (!r) {                                               /* a proxy may say otherwise by __class__ */
        PyObject *cls;
        if (PyObject_GetOptionalAttr(arg, STR(__class__), &cls) < 0) return NULL;
        if (cls && cls != OBJECT(Py_TYPE(arg)) && PyType_Check(cls)) r = PyType_IsSubtype((PyTypeObject *)cls, (PyTypeObject *)self);
        Py_XDECREF(cls);
    }
    return PyBool_FromLong(r);
}

/* 1 when derived's __bases__ lead to cls. Objects that only look like classes take part. */
static int abstract_subclass(PyObject *derived, PyObject *cls)
{
    if (derived == cls) return 1;
    PyObject *bases = abstract_get_bases(derived);
    if (!bases) return PyErr_Occurred() ? -1 : 0;
    int r = 0;
    if (Py_EnterRecursiveCall(" in __issubclass__")) {
        Py_DECREF(bases);
        return -1;
    }
    for (Py_ssize_t i = 0; !r && i < PyTuple_GET_SIZE(bases); i++) r = abstract_subclass(PyTuple_GET_ITEM(bases, i), cls);
    Py_LeaveRecursiveCall();
    Py_DECREF(bases);
    return r;
}

BUILTIN_O(type, __subclasscheck__, "($self, subclass, /)", "Check if a class is a subclass.")
{
    int r;
    if (PyType_Check(arg)) r = PyType_IsSubtype((PyTypeObject *)arg, (PyTypeObject *)self);
    else {
        PyObject *bases = abstract_get_bases(arg);
        if (!bases) {
            if (!PyErr_Occurred()) PyErr_SetString(PyExc_TypeError, "issubclass() arg 1 must be a class");
            return NULL;
        }
        Py_DECREF(bases);
        r = abstract_subclass(arg, self);
    }
    return r < 0 ? NULL : PyBool_FromLong(r);
}

/* dict updated with the namespace of cls and its bases */
static int merge_class_dict(PyObject *dict, PyObject *cls)
{
    PyObject *own, *bases;
    if (PyObject_GetOptionalAttr(cls, STR(__dict__), &own) < 0) return -1;
    if (own) {
        int status = PyDict_Update(dict, own);
        Py_DECREF(own);
        if (status < 0) return -1;
    }
    if (PyObject_GetOptionalAttr(cls, STR(__bases__), &bases) < 0) return -1;
    if (!bases) return 0;
    Py_ssize_t n = PySequence_Size(bases);
    if (n < 0) PyErr_Clear();
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *base = PySequence_GetItem(bases, i);
        int status = base ? merge_class_dict(dict, base) : -1;
        Py_XDECREF(base);
        if (status < 0) {
            Py_DECREF(bases);
            return -1;
        }
    }
    Py_DECREF(bases);
    return 0;
}

int class_merge_dict(PyObject *dict, PyObject *cls) { return merge_class_dict(dict, cls); }

BUILTIN_NOARGS(type, __dir__, "($self, /)", "Specialized __dir__ implementation for types.")
{
    PyObject *dict = PyDict_New(), *result = NULL;
    if (dict && merge_class_dict(dict, self) == 0) result = PyDict_Keys(dict);
    Py_XDECREF(dict);
    return result;
}

BUILTIN_NOARGS(type, __sizeof__, "($self, /)", "Return memory consumption of the type object.")
{
    PyTypeObject *type = (PyTypeObject *)self;
    size_t size = sizeof(PyTypeObject);
    if (type->tp_flags & Py_TPFLAGS_HEAPTYPE) {
        size = sizeof(PyHeapTypeObject) + (size_t)Py_SIZE(self) * sizeof(PyMemberDef);
        TypeExtra *x = type_extra(type);
        if (x) size += sizeof *x + x->shapes * sizeof(Shape);
    }
    return PyLong_FromSize_t(size);
}

static PyMethodDef type_methods[] = {
    METHOD(type, mro), METHOD(type, __subclasses__),
    { "__prepare__", (PyCFunction)(void (*)(void))type_prepare, METH_FASTCALL | METH_KEYWORDS | METH_CLASS, type___prepare___doc },
    METHOD(type, __instancecheck__), METHOD(type, __subclasscheck__), METHOD(type, __dir__), METHOD(type, __sizeof__), { NULL },
};

static PyMemberDef type_members[] = {
    { "__basicsize__", Py_T_PYSSIZET, offsetof(PyTypeObject, tp_basicsize), Py_READONLY, NULL },
    { "__itemsize__", Py_T_PYSSIZET, offsetof(PyTypeObject, tp_itemsize), Py_READONLY, NULL },
    { "__flags__", Py_T_ULONG, offsetof(PyTypeObject, tp_flags), Py_READONLY, NULL },
    { "__weakrefoffset__", Py_T_PYSSIZET, offsetof(PyTypeObject, tp_weaklistoffset), Py_READONLY, NULL },
    { "__base__", _Py_T_OBJECT, offsetof(PyTypeObject, tp_base), Py_READONLY, NULL },
    { "__dictoffset__", Py_T_PYSSIZET, offsetof(PyTypeObject, tp_dictoffset), Py_READONLY, NULL },
    { NULL },
};

static PyNumberMethods type_as_number = { .nb_or = union_or };

PyTypeObject PyType_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "type",
    .tp_basicsize = sizeof(PyHeapTypeObject),
    .tp_itemsize = sizeof(PyMemberDef),
    .tp_dealloc = type_dealloc,
    .tp_vectorcall_offset = offsetof(PyTypeObject, tp_vectorcall),
    .tp_repr = type_repr,
    .tp_as_number = &type_as_number,
    .tp_call = (ternaryfunc)(void (*)(void))type_call,
    .tp_getattro = type_getattro,
    .tp_setattro = type_setattro,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_TYPE_SUBCLASS |
                Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_ITEMS_AT_END,
    .tp_doc = "type(object) -> the object's type\ntype(name, bases, dict, **kwds) -> a new type",
    .tp_traverse = type_traverse,
    .tp_clear = type_clear,
    .tp_weaklistoffset = offsetof(PyTypeObject, tp_weaklist),
    .tp_methods = type_methods,
    .tp_members = type_members,
    .tp_getset = type_getset,
    .tp_dictoffset = offsetof(PyTypeObject, tp_dict),
    .tp_init = type_init,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = type_new,
    .tp_free = PyObject_GC_Del,
    .tp_is_gc = type_is_gc,
    .tp_vectorcall = type_vectorcall,
};
