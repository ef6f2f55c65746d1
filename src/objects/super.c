/* super: attribute lookup that starts behind a class in the MRO of an object's class. */
#include "objects/function.h"

#include "memory/alloc.h"
#include "objects/code.h"
#include "objects/unicode.h"

typedef struct Super {
    PyObject_HEAD
    PyTypeObject *type;                                       /* lookup starts behind it */
    PyObject *obj;                                            /* instance or subclass; NULL: unbound */
    PyTypeObject *obj_type;                                   /* whose MRO counts */
} Super;

#define SUPER(o) ((Super *)(o))

/* ---- lookup ------------------------------------------------------------------------------------------------------------------- */

/* Walks the MRO of obj_type behind type. 1 and NEW *value, 0, -1. */
static int find_behind(PyTypeObject *type, PyTypeObject *obj_type, PyObject *name, PyObject **value)
{
    PyObject *mro = obj_type->tp_mro;
    *value = NULL;
    if (!mro) return 0;
    Py_ssize_t n = PyTuple_GET_SIZE(mro), i = 0;
    while (i < n && PyTuple_GET_ITEM(mro, i) != OBJECT(type)) i++;
    int found = 0;
    Py_INCREF(mro);
    for (i++; !found && i < n; i++) {
        PyObject *dict = ((PyTypeObject *)PyTuple_GET_ITEM(mro, i))->tp_dict;
        if (dict) found = PyDict_GetItemRef(dict, name, value);
    }
    Py_DECREF(mro);
    return found;
}

static PyObject *lookup(PyTypeObject *type, PyObject *obj, PyTypeObject *obj_type, PyObject *name, int *is_method)
{
    PyObject *value;
    int found = find_behind(type, obj_type, name, &value);
    if (found <= 0) return NULL;
    if (is_method && Py_TYPE(value)->tp_flags & Py_TPFLAGS_METHOD_DESCRIPTOR && obj != OBJECT(obj_type)) {
        *is_method = 1;
        return value;
    }
    descrgetfunc get = Py_TYPE(value)->tp_descr_get;
    if (get) Py_SETREF(value, get(value, obj == OBJECT(obj_type) ? NULL : obj, OBJECT(obj_type)));
    return value;
}

static PyObject *super_getattro(PyObject *self, PyObject *name)
{
    Super *s = SUPER(self);
    /* super().__class__ is super itself */
    if (s->obj_type && !(PyUnicode_Check(name) && str_equal(name, STR(__class__)))) {
        /* What runs meanwhile may call __init__ again. */
        PyTypeObject *type = (PyTypeObject *)Py_NewRef(s->type), *obj_type = (PyTypeObject *)Py_NewRef(s->obj_type);
        PyObject *obj = Py_NewRef(s->obj), *value = lookup(type, obj, obj_type, name, NULL);
        Py_DECREF(obj);
        Py_DECREF(obj_type);
        Py_DECREF(type);
        if (value || PyErr_Occurred()) return value;
    }
    return PyObject_GenericGetAttr(self, name);
}

/* ---- what may be given ------------------------------------------------------------------------------------------------------------ */

/* NEW: the class whose MRO counts for obj. */
static PyTypeObject *check(PyTypeObject *type, PyObject *obj)
{
    if (PyType_Check(obj) && PyType_IsSubtype((PyTypeObject *)obj, type)) return (PyTypeObject *)Py_NewRef(obj);
    if (PyType_IsSubtype(Py_TYPE(obj), type)) return (PyTypeObject *)Py_NewRef(Py_TYPE(obj));
    PyObject *cls;                                            /* a proxy's class */
    if (PyObject_GetOptionalAttr(obj, STR(__class__), &cls) < 0) return NULL;
    if (cls && PyType_Check(cls) && cls != OBJECT(Py_TYPE(obj)) && PyType_IsSubtype((PyTypeObject *)cls, type)) return (PyTypeObject *)cls;
    Py_XDECREF(cls);
    bool is_type = PyType_Check(obj);
    PyErr_Format(PyExc_TypeError, "super(type, obj): obj (%s %.200s) is not an instance or subtype of type (%.200s).",
                 is_type ? "type" : "instance of", is_type ? ((PyTypeObject *)obj)->tp_name : Py_TYPE(obj)->tp_name, type->tp_name);
    return NULL;
}

PyObject *super_lookup(PyTypeObject *type, PyObject *obj, PyObject *name, int *is_method)
{
    PyTypeObject *obj_type = check(type, obj);
    if (!obj_type) return NULL;
    PyObject *value = lookup(type, obj, obj_type, name, is_method);
    Py_DECREF(obj_type);
    return value;
}

static PyObject *super_descr_get(PyObject *self, PyObject *obj, PyObject *type)
{
    (void)type;
    Super *s = SUPER(self);
    if (!obj || obj == Py_None || s->obj) return Py_NewRef(self);
    if (!Py_IS_TYPE(self, &PySuper_Type))                     /* a subclass may want to know */
        return PyObject_CallFunctionObjArgs(OBJECT(Py_TYPE(self)), s->type, obj, NULL);
    PyTypeObject *obj_type = check(s->type, obj);
    if (!obj_type) return NULL;
    Super *bound = SUPER(PyType_GenericAlloc(&PySuper_Type, 0));
    if (!bound) {
        Py_DECREF(obj_type);
        return NULL;
    }
    bound->type = (PyTypeObject *)Py_XNewRef(s->type);
    bound->obj = Py_NewRef(obj);
    bound->obj_type = obj_type;
    return OBJECT(bound);
}

/* ---- super() without arguments -------------------------------------------------------------------------------------------------------- */

static int runtime_error(const char *text)
{
    PyErr_SetString(PyExc_RuntimeError, text);
    return -1;
}

/* From the calling frame: the cell __class__ and the first argument. Both BORROWED. */
static int find_implicit(Frame *f, PyTypeObject **type, PyObject **obj)
{
    if (!f) return runtime_error("super(): no current frame");
    PyCodeObject *code = frame_code(f);
    if (code->co_argcount == 0) return runtime_error("super(): no arguments");
    PyObject *first = f->localsplus[0];
    const char *kinds = PyBytes_AS_STRING(code->co_localspluskinds);
    if (first && kinds[0] & CO_FAST_CELL && PyCell_Check(first)) first = PyCell_GET(first);   /* captured by a closure */
    if (!first) return runtime_error("super(): arg[0] deleted");
    for (int i = code->co_nlocalsplus - code->co_nfreevars; i < code->co_nlocalsplus; i++) {
        if (!str_equal(PyTuple_GET_ITEM(code->co_localsplusnames, i), STR(__class__))) continue;
        PyObject *cell = f->localsplus[i];
        if (!cell || !PyCell_Check(cell)) return runtime_error("super(): bad __class__ cell");
        PyObject *cls = PyCell_GET(cell);
        if (!cls) return runtime_error("super(): empty __class__ cell");
        if (!PyType_Check(cls)) {
            PyErr_Format(PyExc_RuntimeError, "super(): __class__ is not a type (%s)", Py_TYPE(cls)->tp_name);
            return -1;
        }
        *type = (PyTypeObject *)cls;
        *obj = first;
        return 0;
    }
    return runtime_error("super(): __class__ cell not found");
}

/* ---- making ---------------------------------------------------------------------------------------------------------------------------- */

static int initialize(Super *s, PyTypeObject *type, PyObject *obj)
{
    if (!type && find_implicit(frame_current(&thread_get()->ts), &type, &obj) < 0) return -1;
    if (obj == Py_None) obj = NULL;
    PyTypeObject *obj_type = NULL;
    Py_INCREF(type);                                          /* __class__ of a proxy may change the frame that they are from */
    Py_XINCREF(obj);
    if (obj && !(obj_type = check(type, obj))) {
        Py_DECREF(type);
        Py_DECREF(obj);
        return -1;
    }
    Py_XSETREF(s->type, type);
    Py_XSETREF(s->obj, obj);
    Py_XSETREF(s->obj_type, obj_type);
    return 0;
}

/* The first argument must be a class. */
static int check_type(PyObject *o)
{
    if (PyType_Check(o)) return 0;
    PyErr_Format(PyExc_TypeError, "super() argument 1 must be a type, not %.200s", Py_TYPE(o)->tp_name);
    return -1;
}

static int super_init(PyObject *self, PyObject *args, PyObject *kwds)
{
    PyObject *type = NULL, *obj = NULL;
    if (kwds && PyDict_GET_SIZE(kwds)) {
        PyErr_SetString(PyExc_TypeError, "super() takes no keyword arguments");
        return -1;
    }
    if (!PyArg_UnpackTuple(args, "super", 0, 2, &type, &obj) || (type && check_type(type) < 0)) return -1;
    return initialize(SUPER(self), (PyTypeObject *)type, obj);
}

static PyObject *super_vectorcall(PyObject *cls, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    Py_ssize_t n = PyVectorcall_NARGS(nargsf);
    if (kwnames && PyTuple_GET_SIZE(kwnames)) {
        PyErr_SetString(PyExc_TypeError, "super() takes no keyword arguments");
        return NULL;
    }
    if (n > 2) {
        PyErr_Format(PyExc_TypeError, "super() expected at most 2 arguments, got %zd", n);
        return NULL;
    }
    if (n > 0 && check_type(args[0]) < 0) return NULL;
    PyObject *self = PyType_GenericAlloc((PyTypeObject *)cls, 0);
    if (!self) return NULL;
    if (initialize(SUPER(self), n > 0 ? (PyTypeObject *)args[0] : NULL, n > 1 ? args[1] : NULL) == 0) return self;
    Py_DECREF(self);
    return NULL;
}

/* ---- the type ---------------------------------------------------------------------------------------------------------------------------- */

static void super_dealloc(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    Py_XDECREF(SUPER(self)->obj);
    Py_XDECREF(SUPER(self)->type);
    Py_XDECREF(SUPER(self)->obj_type);
    Py_TYPE(self)->tp_free(self);
}

static int super_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(SUPER(self)->obj);
    Py_VISIT(SUPER(self)->type);
    Py_VISIT(SUPER(self)->obj_type);
    return 0;
}

static PyObject *super_repr(PyObject *self)
{
    Super *s = SUPER(self);
    const char *name = s->type ? s->type->tp_name : "NULL";
    if (s->obj_type) return PyUnicode_FromFormat("<super: <class '%s'>, <%s object>>", name, s->obj_type->tp_name);
    return PyUnicode_FromFormat("<super: <class '%s'>, NULL>", name);
}

static PyMemberDef super_members[] = {
    { "__thisclass__", _Py_T_OBJECT, offsetof(Super, type), Py_READONLY, "the class invoking super()" },
    { "__self__", _Py_T_OBJECT, offsetof(Super, obj), Py_READONLY, "the instance invoking super(); may be None" },
    { "__self_class__", _Py_T_OBJECT, offsetof(Super, obj_type), Py_READONLY, "the type of the instance invoking super(); may be None" },
    { NULL },
};

PyTypeObject PySuper_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "super",
    .tp_basicsize = sizeof(Super),
    .tp_dealloc = super_dealloc,
    .tp_repr = super_repr,
    .tp_getattro = super_getattro,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .tp_doc = "super() -> same as super(__class__, <first argument>)\n"
              "super(type) -> unbound super object\n"
              "super(type, obj) -> bound super object; requires isinstance(obj, type)\n"
              "super(type, type2) -> bound super object; requires issubclass(type2, type)\n\n"
              "Attributes are looked up in the classes that come after type in the method\n"
              "resolution order of the object, so that methods of several bases cooperate.",
    .tp_traverse = super_traverse,
    .tp_members = super_members,
    .tp_descr_get = super_descr_get,
    .tp_init = super_init,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = PyType_GenericNew,
    .tp_free = PyObject_GC_Del,
    .tp_vectorcall = super_vectorcall,
};
