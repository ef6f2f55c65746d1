/* Saving objects by name (classes, functions) and by what __reduce_ex__ says about them. */
#include "pickle_private.h"

/* ---- names ----------------------------------------------------------------------------------------------------------- */

PyObject *dotted_path(PyObject *owner, PyObject *name)
{
    PyObject *dot = PyUnicode_FromString("."), *path = dot ? PyUnicode_Split(name, dot, -1) : NULL;
    Py_XDECREF(dot);
    for (Py_ssize_t i = 0; path && i < PyList_GET_SIZE(path); i++)
        if (PyUnicode_EqualToUTF8(PyList_GET_ITEM(path, i), "<locals>")) {
            if (owner) PyErr_Format(PyExc_AttributeError, "Can't get local attribute %R on %R", name, owner);
            else PyErr_Format(PyExc_AttributeError, "Can't get local object %R", name);
            Py_CLEAR(path);
        }
    return path;
}

PyObject *deep_attribute(PyObject *o, PyObject *path, PyObject **parent)
{
    PyObject *owner = NULL;
    Py_INCREF(o);
    for (Py_ssize_t i = 0; o && i < PyList_GET_SIZE(path); i++) {
        Py_XSETREF(owner, o);
        PyObject_GetOptionalAttr(owner, PyList_GET_ITEM(path, i), &o);
    }
    if (parent && o) *parent = owner;
    else Py_XDECREF(owner);
    return o;
}

/* 1: module has o under that path. 0: it has not. */
static int module_has(PyObject *module, PyObject *path, PyObject *o)
{
    if (module == Py_None) return 0;
    PyObject *found = deep_attribute(module, path, NULL);
    if (!found) return PyErr_Occurred() ? -1 : 0;
    Py_DECREF(found);
    return found == o;
}

/* NEW: what the module of o is called. */
static PyObject *which_module(PyObject *o, PyObject *path)
{
    PyObject *name, *modules, *module = NULL;
    if (PyObject_GetOptionalAttr(o, STR(__module__), &name) < 0) return NULL;
    if (name && name != Py_None) return name;
    Py_XDECREF(name);
    modules = PySys_GetObject("modules");
    if (!modules) {
        PyErr_SetString(PyExc_RuntimeError, "unable to get sys.modules");
        return NULL;
    }
    /* attribute access may import: a copy of the names is gone through */
    PyObject *names = PyMapping_Keys(modules);
    for (Py_ssize_t i = 0; names && i < PyList_GET_SIZE(names); i++) {
        name = PyList_GET_ITEM(names, i);
        if (PyUnicode_Check(name) && (PyUnicode_EqualToUTF8(name, "__main__") || PyUnicode_EqualToUTF8(name, "__mp_main__"))) continue;
        if (PyMapping_GetOptionalItem(modules, name, &module) < 0) break;
        if (!module) continue;
        int has = module_has(module, path, o);
        Py_DECREF(module);
        if (has > 0) {
            Py_INCREF(name);
            Py_DECREF(names);
            return name;
        }
        if (has < 0) break;
    }
    Py_XDECREF(names);
    return PyErr_Occurred() ? NULL : Py_NewRef(STR(__main__));
}

/* The number of (module, name) in copyreg's registry: 0 none, -1 error. */
static long extension_code(Pickler *p, PyObject *module, PyObject *name)
{
    PyObject *key = PyTuple_Pack(2, module, name), *number;
    if (!key) return -1;
    int found = PyDict_GetItemRef(p->state->extension_registry, key, &number);
    Py_DECREF(key);
    if (found <= 0) return found;
    long code = PyLong_AsLong(number);
    Py_DECREF(number);
    if (code == -1 && PyErr_Occurred()) return -1;
    if (code > 0 && code <= 0x7fffffff) return code;
    PyErr_Format(PyExc_RuntimeError, "extension code %ld is out of range", code);
    return -1;
}

static int emit_extension(Pickler *p, long code)
{
    char bytes[5];
    bytes[0] = (char)(code <= 0xff ? OP_EXT1 : code <= 0xffff ? OP_EXT2 : OP_EXT4);
    put_le32(bytes + 1, (uint32_t)code);
    return output_write(p, bytes, code <= 0xff ? 2 : code <= 0xffff ? 3 : 5);
}

/* What a table has for a key, as a new reference: 1 found, 0 not, -1. */
static int look_up_names(PyObject *table, PyObject *module, PyObject *name, PyObject **item)
{
    PyObject *key = PyTuple_Pack(2, module, name);
    int found = key ? PyDict_GetItemRef(table, key, item) : -1;
    Py_XDECREF(key);
    return found;
}

int pickle_rename(PyObject *names, PyObject *modules, const char *prefix, PyObject **module, PyObject **name)
{
    PyObject *item;
    int found = look_up_names(names, *module, *name, &item), status = -1;
    if (found < 0) return -1;
    if (found) {
        PyObject *m, *n;
        if (!PyTuple_Check(item) || PyTuple_GET_SIZE(item) != 2)
            PyErr_Format(PyExc_RuntimeError, "_compat_pickle.%sNAME_MAPPING values should be 2-tuples, not %.200s", prefix, Py_TYPE(item)->tp_name);
        else if (m = PyTuple_GET_ITEM(item, 0), n = PyTuple_GET_ITEM(item, 1), !PyUnicode_Check(m) || !PyUnicode_Check(n))
            PyErr_Format(PyExc_RuntimeError, "_compat_pickle.%sNAME_MAPPING values should be pairs of str, not (%.200s, %.200s)", prefix,
                         Py_TYPE(m)->tp_name, Py_TYPE(n)->tp_name);
        else {
            Py_SETREF(*module, Py_NewRef(m));
            Py_SETREF(*name, Py_NewRef(n));
            status = 0;
        }
        Py_DECREF(item);
        return status;
    }
    found = PyDict_GetItemRef(modules, *module, &item);
    if (found <= 0) return found;
    if (PyUnicode_Check(item)) {
        Py_SETREF(*module, item);
        return 0;
    }
    PyErr_Format(PyExc_RuntimeError, "_compat_pickle.%sIMPORT_MAPPING values should be strings, not %.200s", prefix, Py_TYPE(item)->tp_name);
    Py_DECREF(item);
    return -1;
}

static int emit_name_line(Pickler *p, PyObject *name, const char *what)
{
    PyObject *bytes = p->proto == 3 ? PyUnicode_AsUTF8String(name) : PyUnicode_AsASCIIString(name);
    if (!bytes) {
        if (PyErr_ExceptionMatches(PyExc_UnicodeEncodeError)) {
            PyErr_Clear();
            PyErr_Format(p->state->pickling_error, "can't pickle %s identifier '%S' using pickle protocol %i", what, name, p->proto);
        }
        return -1;
    }
    int status = output_write(p, PyBytes_AS_STRING(bytes), PyBytes_GET_SIZE(bytes)) < 0 ? -1 : output_byte(p, '\n');
    Py_DECREF(bytes);
    return status;
}

/* GLOBAL with one module and one name, protocol 3 and before. */
static int emit_global(Pickler *p, PyObject *module, PyObject *name)
{
    Py_INCREF(module);
    Py_INCREF(name);
    int status = p->proto < 3 && p->fix_imports ? pickle_rename(p->state->names_3to2, p->state->modules_3to2, "REVERSE_", &module, &name) : 0;
    if (status == 0 && !PyUnicode_Check(module)) {
        PyErr_SetString(PyExc_TypeError, "module name must be a string");
        status = -1;
    }
    if (status == 0) status = output_byte(p, OP_GLOBAL) < 0 || emit_name_line(p, module, "module") < 0 || emit_name_line(p, name, "global") < 0 ? -1 : 0;
    Py_DECREF(module);
    Py_DECREF(name);
    return status;
}

/* getattr(getattr(module.a, "b"), "c") for a.b.c, protocol 3 and before. */
static int emit_nested_global(Pickler *p, PyObject *module, PyObject *path)
{
    Py_ssize_t n = PyList_GET_SIZE(path);
    for (Py_ssize_t i = 1; i < n; i++)
        if (save(p, p->state->getattr, false) < 0 || (p->proto < 2 && output_byte(p, OP_MARK) < 0)) return -1;
    if (emit_global(p, module, PyList_GET_ITEM(path, 0)) < 0) return -1;
    for (Py_ssize_t i = 1; i < n; i++)
        if (save(p, PyList_GET_ITEM(path, i), false) < 0 || output_byte(p, p->proto < 2 ? OP_TUPLE : OP_TUPLE2) < 0 ||
            output_byte(p, OP_REDUCE) < 0) return -1;
    return 0;
}

/* NEW: the object that module has under path, and who holds it; the PicklingErrors for what cannot be found again. */
static PyObject *find_again(Pickler *p, PyObject *o, PyObject *module_name, PyObject *name, PyObject *path, PyObject **module, PyObject **parent)
{
    PyObject *error = p->state->pickling_error;
    *module = PyUnicode_Check(module_name) ? PyImport_ImportModuleLevelObject(module_name, NULL, NULL, NULL, 0) : NULL;
    if (*module) {                            /* that gave the package at the top */
        PyObject *modules = PySys_GetObject("modules"), *own = NULL;
        if (modules) PyMapping_GetOptionalItem(modules, module_name, &own);
        if (own) Py_SETREF(*module, own);
        else Py_CLEAR(*module);
    }
    if (!*module) {
        PyErr_Clear();
        PyErr_Format(error, "Can't pickle %R: import of module %R failed", o, module_name);
        return NULL;
    }
    PyObject *found = deep_attribute(*module, path, parent);
    if (!found) {
        PyErr_Clear();
        PyErr_Format(error, "Can't pickle %R: attribute lookup %S on %S failed", o, name, module_name);
    }
    else if (found != o) {
        PyErr_Format(error, "Can't pickle %R: it's not the same object as %S.%S", o, module_name, name);
        Py_CLEAR(found);
        Py_CLEAR(*parent);
    }
    return found;
}

static int save_found_global(Pickler *p, PyObject *o, PyObject *module_name, PyObject *name, PyObject *path)
{
    PyObject *module = NULL, *parent = NULL, *found = find_again(p, o, module_name, name, path, &module, &parent);
    int status = -1;
    if (!found) goto done;
    if (p->proto >= 2) {
        long code = extension_code(p, module_name, name);
        if (code) {
            status = code < 0 ? -1 : emit_extension(p, code);
            goto done;
        }
    }
    Py_ssize_t n = PyList_GET_SIZE(path);
    bool top = parent == module || n == 1;
    PyObject *last = PyList_GET_ITEM(path, n - 1);
    if (p->proto >= 4) {
        status = save(p, module_name, false) < 0 || save(p, top ? last : name, false) < 0 ? -1 : output_byte(p, OP_STACK_GLOBAL);
    }
    else status = top ? emit_global(p, module_name, last) : emit_nested_global(p, module_name, path);
    if (status == 0) status = memo_put(p, o);
done:
    Py_XDECREF(module);
    Py_XDECREF(parent);
    Py_XDECREF(found);
    return status;
}

int save_global(Pickler *p, PyObject *o, PyObject *given_name)
{
    PyObject *name = Py_XNewRef(given_name), *path = NULL, *module = NULL;
    int status = -1;
    if (!name) {
        if (PyObject_GetOptionalAttr(o, STR(__qualname__), &name) < 0) return -1;
        if (!name && !(name = PyObject_GetAttr(o, STR(__name__)))) return -1;
    }
    if (!PyUnicode_Check(name)) PyErr_Format(PyExc_TypeError, "must be str, not %.100s", Py_TYPE(name)->tp_name);
    else if ((path = dotted_path(NULL, name)) && (module = which_module(o, path))) status = save_found_global(p, o, module, name, path);
    Py_DECREF(name);
    Py_XDECREF(path);
    Py_XDECREF(module);
    return status;
}

int save_type(Pickler *p, PyObject *o)
{
    PyObject *singleton = o == OBJECT(Py_TYPE(Py_None)) ? Py_None : o == OBJECT(&PyEllipsis_Type) ? Py_Ellipsis
                        : o == OBJECT(Py_TYPE(Py_NotImplemented)) ? Py_NotImplemented : NULL;
    if (!singleton) return save_global(p, o, NULL);
    return save_reduced_steal(p, Py_BuildValue("O(O)", &PyType_Type, singleton), o);
}

/* ---- __reduce_ex__ ----------------------------------------------------------------------------------------------------- */

int save_reduced_steal(Pickler *p, PyObject *reduced, PyObject *o)
{
    if (!reduced) return -1;
    int status = save_reduced(p, reduced, o);
    Py_DECREF(reduced);
    return status;
}

typedef struct Reduced { PyObject *callable, *args, *state, *list_items, *dict_items, *state_setter; } Reduced;

/* Takes the tuple apart; None counts as absent. */
static int reduced_check(Pickler *p, PyObject *tuple, Reduced *r)
{
    PyObject *error = p->state->pickling_error, **field[] = { &r->callable, &r->args, &r->state, &r->list_items, &r->dict_items, &r->state_setter };
    Py_ssize_t n = PyTuple_GET_SIZE(tuple);
    *r = (Reduced){ 0 };
    if (n < 2 || n > 6) {
        PyErr_SetString(error, "tuple returned by __reduce__ must contain 2 through 6 elements");
        return -1;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        *field[i] = PyTuple_GET_ITEM(tuple, i);
        if (i >= 2 && *field[i] == Py_None) *field[i] = NULL;
    }
    if (!PyCallable_Check(r->callable)) PyErr_SetString(error, "first item of the tuple returned by __reduce__ must be callable");
    else if (!PyTuple_Check(r->args)) PyErr_SetString(error, "second item of the tuple returned by __reduce__ must be a tuple");
    else if (r->list_items && !PyIter_Check(r->list_items))
        PyErr_Format(error, "fourth element of the tuple returned by __reduce__ must be an iterator, not %s", Py_TYPE(r->list_items)->tp_name);
    else if (r->dict_items && !PyIter_Check(r->dict_items))
        PyErr_Format(error, "fifth element of the tuple returned by __reduce__ must be an iterator, not %s", Py_TYPE(r->dict_items)->tp_name);
    else if (r->state_setter && !PyCallable_Check(r->state_setter))
        PyErr_Format(error, "sixth element of the tuple returned by __reduce__ must be a function, not %s", Py_TYPE(r->state_setter)->tp_name);
    else return 0;
    return -1;
}

/* copyreg.__newobj_ex__(cls, args, kwargs) */
static int save_newobj_ex(Pickler *p, PyObject *triple)
{
    PyObject *error = p->state->pickling_error;
    if (PyTuple_GET_SIZE(triple) != 3) {
        PyErr_Format(error, "length of the NEWOBJ_EX argument tuple must be exactly 3, not %zd", PyTuple_GET_SIZE(triple));
        return -1;
    }
    PyObject *cls = PyTuple_GET_ITEM(triple, 0), *args = PyTuple_GET_ITEM(triple, 1), *kwargs = PyTuple_GET_ITEM(triple, 2);
    if (!PyType_Check(cls)) PyErr_Format(error, "first item from NEWOBJ_EX argument tuple must be a class, not %.200s", Py_TYPE(cls)->tp_name);
    else if (!PyTuple_Check(args)) PyErr_Format(error, "second item from NEWOBJ_EX argument tuple must be a tuple, not %.200s", Py_TYPE(args)->tp_name);
    else if (!PyDict_Check(kwargs)) PyErr_Format(error, "third item from NEWOBJ_EX argument tuple must be a dict, not %.200s", Py_TYPE(kwargs)->tp_name);
    else if (p->proto >= 4)
        return save(p, cls, false) < 0 || save(p, args, false) < 0 || save(p, kwargs, false) < 0 ? -1 : output_byte(p, OP_NEWOBJ_EX);
    else {
        /* functools.partial(cls.__new__, cls, *args, **kwargs)() */
        Py_ssize_t n = PyTuple_GET_SIZE(args);
        PyObject *all = PyTuple_New(n + 2), *make;
        if (!all) return -1;
        if (!(make = PyObject_GetAttr(cls, STR(__new__)))) {
            Py_DECREF(all);
            return -1;
        }
        PyTuple_SET_ITEM(all, 0, make);
        PyTuple_SET_ITEM(all, 1, Py_NewRef(cls));
        for (Py_ssize_t i = 0; i < n; i++) PyTuple_SET_ITEM(all, i + 2, Py_NewRef(PyTuple_GET_ITEM(args, i)));
        PyObject *call = PyObject_Call(p->state->partial, all, kwargs);
        Py_DECREF(all);
        if (!call) return -1;
        int status = save(p, call, false) < 0 || save(p, EMPTY_TUPLE, false) < 0 ? -1 : output_byte(p, OP_REDUCE);
        Py_DECREF(call);
        return status;
    }
    return -1;
}

/* copyreg.__newobj__(cls, *args) */
static int save_newobj(Pickler *p, PyObject *args, PyObject *o)
{
    PyObject *error = p->state->pickling_error;
    if (PyTuple_GET_SIZE(args) < 1) {
        PyErr_SetString(error, "__newobj__ arglist is empty");
        return -1;
    }
    PyObject *cls = PyTuple_GET_ITEM(args, 0);
    if (!PyType_Check(cls)) {
        PyErr_SetString(error, "args[0] from __newobj__ args is not a type");
        return -1;
    }
    if (o) {
        PyObject *own = PyObject_GetAttr(o, STR(__class__));
        if (!own) return -1;
        Py_DECREF(own);
        if (own != cls) {
            PyErr_SetString(error, "args[0] from __newobj__ args has the wrong class");
            return -1;
        }
    }
    if (save(p, cls, false) < 0) return -1;
    PyObject *rest = PyTuple_GetSlice(args, 1, PyTuple_GET_SIZE(args));
    int status = rest ? save(p, rest, false) : -1;
    Py_XDECREF(rest);
    return status < 0 ? -1 : output_byte(p, OP_NEWOBJ);
}

/* The object itself, without its state. */
static int save_construction(Pickler *p, const Reduced *r, PyObject *o)
{
    bool newobj = false, newobj_ex = false;
    if (p->proto >= 2) {
        PyObject *name;
        if (PyObject_GetOptionalAttr(r->callable, STR(__name__), &name) < 0) return -1;
        if (name && PyUnicode_Check(name)) {
            newobj_ex = PyUnicode_EqualToUTF8(name, "__newobj_ex__");
            newobj = !newobj_ex && PyUnicode_EqualToUTF8(name, "__newobj__");
        }
        Py_XDECREF(name);
    }
    if (newobj_ex) return save_newobj_ex(p, r->args);
    if (newobj) return save_newobj(p, r->args, o);
    return save(p, r->callable, false) < 0 || save(p, r->args, false) < 0 ? -1 : output_byte(p, OP_REDUCE);
}

int save_reduced(Pickler *p, PyObject *tuple, PyObject *o)
{
    Reduced r;
    if (reduced_check(p, tuple, &r) < 0 || save_construction(p, &r, o) < 0) return -1;
    if (o) {
        MemoEntry *e = memo_find(p->memo, o);
        if (e->key) {                         /* its arguments led back to it */
            Py_ssize_t index = e->index;
            return output_byte(p, OP_POP) < 0 ? -1 : memo_get(p, index);
        }
        if (memo_put(p, o) < 0) return -1;
    }
    if (r.list_items && save_batch_list(p, r.list_items) < 0) return -1;
    if (r.dict_items && save_batch_dict(p, r.dict_items) < 0) return -1;
    if (!r.state) return 0;
    if (!r.state_setter) return save(p, r.state, false) < 0 ? -1 : output_byte(p, OP_BUILD);
    /* state_setter(o, state), whose result does not matter */
    return save(p, r.state_setter, false) < 0 || save(p, o, false) < 0 || save(p, r.state, false) < 0 || output_byte(p, OP_TUPLE2) < 0 ||
           output_byte(p, OP_REDUCE) < 0 ? -1 : output_byte(p, OP_POP);
}

/* ---- plain instances --------------------------------------------------------------------------------------------------- */

/* Is object.__reduce_ex__ what pickles instances of type, and would it say (copyreg.__newobj__, (type,), o.__dict__)? */
static bool type_is_plain(PyTypeObject *type)
{
    PyTypeObject *object = &PyBaseObject_Type;
    if (!(type->tp_flags & Py_TPFLAGS_MANAGED_DICT) || type->tp_basicsize != object->tp_basicsize || type->tp_itemsize) return false;
    if (type->tp_getattro != PyObject_GenericGetAttr || Py_TYPE(type)->tp_hash != PyType_Type.tp_hash || !type->tp_new) return false;
    if (type_lookup(type, STR(__reduce_ex__)) != type_lookup(object, STR(__reduce_ex__)) ||
        type_lookup(type, STR(__reduce__)) != type_lookup(object, STR(__reduce__)) ||
        type_lookup(type, STR(__getstate__)) != type_lookup(object, STR(__getstate__)) ||
        type_lookup(type, STR(__class__)) != type_lookup(object, STR(__class__)) ||
        type_lookup(type, STR(__getnewargs_ex__)) || type_lookup(type, STR(__getnewargs__))) return false;
    /* what copyreg keeps in the class once it looked for __slots__ */
    PyObject *slots = PyDict_GetItemWithError(type->tp_dict, STR(__slotnames__));
    return slots && PyList_CheckExact(slots) && PyList_GET_SIZE(slots) == 0;
}

/* None of the names that the lookup of methods would find in the instance first. */
static bool shape_is_plain(Shape *shape)
{
    return shape_index(shape, STR(__reduce_ex__)) < 0 && shape_index(shape, STR(__reduce__)) < 0 && shape_index(shape, STR(__getstate__)) < 0 &&
           shape_index(shape, STR(__class__)) < 0;
}

static int save_plain_values(Pickler *p, PyObject *o, Shape *shape)
{
    Py_ssize_t n = shape->count;
    PyObject *names[INSTANCE_CAPACITY_MAX < 8 ? INSTANCE_CAPACITY_MAX : 8], **name = names;
    if (n > (Py_ssize_t)ARRAY_LENGTH(names)) name = __builtin_alloca((size_t)n * sizeof *name);
    Shape *s = shape;
    for (Py_ssize_t i = n; i-- > 0; s = s->parent) name[i] = s->name;
    if (n > 1 && output_byte(p, OP_MARK) < 0) return -1;
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *value;
        if (save(p, name[i], false) < 0) return -1;
        Shape *now = instance_shape(o);
        if (LIKELY(now == shape)) value = Py_NewRef(instance_value(o, i));
        else {                                /* saving a value changed the object */
            PyObject *dict = instance_dict_if_any(o);
            value = NULL;
            if (dict && PyDict_GET_SIZE(dict) == n) {
                if (PyDict_GetItemRef(dict, name[i], &value) < 0) return -1;
            }
            if (!value) {
                PyErr_SetString(PyExc_RuntimeError, "dictionary changed size during iteration");
                return -1;
            }
        }
        int status = save(p, value, false);
        Py_DECREF(value);
        if (status < 0) return -1;
    }
    return output_byte(p, n > 1 ? OP_SETITEMS : OP_SETITEM);
}

int save_plain(Pickler *p, PyObject *o, PyTypeObject *type)
{
    if (!(type->tp_flags & Py_TPFLAGS_MANAGED_DICT) || p->proto < 2 || p->fast || p->persistent_id || p->dispatch_table) return 0;
    Shape *shape = instance_shape(o);
    if (!shape || !shape->count) return 0;
    Memo *m = p->memo;
    PyObject *table = p->state->dispatch_table;
    uint64_t tag = *dict_tag((PyDictObject *)table);
    if (m->plain_shape != shape || m->plain_tag != tag || m->plain_version != type->tp_version_tag || !type->tp_version_tag) {
        if (!type_is_plain(type) || !shape_is_plain(shape) || PyDict_GetItemWithError(table, OBJECT(type)) || PyErr_Occurred())
            return PyErr_Occurred() ? -1 : 0;
        m->plain_shape = shape;
        m->plain_tag = tag;
        m->plain_version = type->tp_version_tag;
    }
    Py_INCREF(type);                          /* it owns the shape and the names */
    int status = save(p, OBJECT(type), false);
    if (status == 0) status = output_byte(p, OP_EMPTY_TUPLE) < 0 ? -1 : output_byte(p, OP_NEWOBJ);
    if (status == 0) {
        int known = save_known(p, o);
        if (known) status = known < 0 || output_byte(p, OP_POP) < 0 ? -1 : 1;
        else status = memo_put(p, o);
    }
    if (status == 0) status = output_byte(p, OP_EMPTY_DICT);
    /* the dict that does not exist takes a number, but needs no entry: nobody can refer to it */
    if (status == 0) status = emit_put(p, p->memo->next++);
    if (status == 0) status = save_plain_values(p, o, shape);
    if (status == 0) status = output_byte(p, OP_BUILD);
    Py_DECREF(type);
    return status < 0 ? -1 : 1;
}
