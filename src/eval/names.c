/* Names and imports: the slow halves of the instructions that look things up. */
#include "eval/eval_private.h"
#include "objects/dict.h"
#include "objects/function.h"
#include "runtime/errors.h"

/* NameError and UnboundLocalError know the name they are about. */
void eval_name_error(PyObject *type, const char *format, PyObject *name)
{
    const char *text = PyUnicode_AsUTF8(name);
    if (!text) return;
    PyErr_Format(type, format, text);
    if (type != PyExc_NameError) return;
    PyObject *exc = PyErr_GetRaisedException();
    if (PyErr_GivenExceptionMatches(exc, PyExc_NameError) && !((PyNameErrorObject *)exc)->name)
        ((PyNameErrorObject *)exc)->name = Py_NewRef(name);
    PyErr_SetRaisedException(exc);
}

void eval_unbound_error(PyCodeObject *co, int index)
{
    if (PyErr_Occurred()) return;
    PyObject *name = PyTuple_GET_ITEM(co->co_localsplusnames, index);
    if (index < co->co_nlocalsplus - co->co_nfreevars)
        eval_name_error(PyExc_UnboundLocalError, "cannot access local variable '%s' where it is not associated with a value", name);
    else eval_name_error(PyExc_NameError, "cannot access free variable '%s' where it is not associated with a value in enclosing scope",
                         name);
}

/* 1 found (NEW), 0, -1 */
static inline int namespace_get(PyObject *ns, PyObject *name, PyObject **value)
{
    return PyDict_CheckExact(ns) ? PyDict_GetItemRef(ns, name, value) : PyMapping_GetOptionalItem(ns, name, value);
}

PyObject *eval_load_global(Frame *f, PyObject *name)
{
    PyObject *v;
    if (PyDict_CheckExact(f->f_globals) && PyDict_CheckExact(f->f_builtins)) {
        v = dict_get_str((PyDictObject *)f->f_globals, name);
        if (v) return Py_NewRef(v);
        if (PyErr_Occurred()) return NULL;
        v = dict_get_str((PyDictObject *)f->f_builtins, name);
        if (v) return Py_NewRef(v);
        if (PyErr_Occurred()) return NULL;
    }
    else {
        if (namespace_get(f->f_globals, name, &v) < 0) return NULL;
        if (v) return v;
        if (namespace_get(f->f_builtins, name, &v) < 0) return NULL;
        if (v) return v;
    }
    eval_name_error(PyExc_NameError, "name '%.200s' is not defined", name);
    return NULL;
}

PyObject *eval_load_name(Frame *f, PyObject *name)
{
    PyObject *v;
    if (!f->f_locals) {
        PyErr_Format(PyExc_SystemError, "no locals when loading %R", name);
        return NULL;
    }
    if (namespace_get(f->f_locals, name, &v) < 0) return NULL;
    return v ? v : eval_load_global(f, name);
}

/* ---- import ----------------------------------------------------------------------------------------------------------- */

PyObject *eval_import_name(PyThreadState *ts, PyObject *builtins, PyObject *globals, PyObject *locals, PyObject *name,
                           PyObject *fromlist, PyObject *level)
{
    PyObject *import;
    if (PyMapping_GetOptionalItem(builtins, STR(__import__), &import) < 0) return NULL;
    if (!import) {
        PyErr_SetString(PyExc_ImportError, "__import__ not found");
        return NULL;
    }
    PyObject *result;
    if (import == ts->interp->eval.import_function) {                       /* nobody replaced it */
        int at = PyLong_AsInt(level);
        result = at == -1 && PyErr_Occurred() ? NULL : PyImport_ImportModuleLevelObject(name, globals, locals ? locals : Py_None,
                                                                                         fromlist, at);
    }
    else {
        PyObject *args[5] = {name, globals, locals ? locals : Py_None, fromlist, level};
        result = PyObject_Vectorcall(import, args, 5, NULL);
    }
    Py_DECREF(import);
    return result;
}

PyObject *eval_import(PyThreadState *ts, Frame *f, PyObject *name, PyObject *fromlist, PyObject *level)
{
    return eval_import_name(ts, f->f_builtins, f->f_globals, f->f_locals, name, fromlist, level);
}

/* module.__spec__.<name> is true; errors count as no. */
static bool spec_flag(PyObject *spec, const char *name)
{
    PyObject *v = NULL;
    if (!spec || PyObject_GetOptionalAttrString(spec, name, &v) <= 0) {
        PyErr_Clear();
        return false;
    }
    int truth = PyObject_IsTrue(v);
    Py_DECREF(v);
    if (truth < 0) PyErr_Clear();
    return truth > 0;
}

COLD static void import_from_error(PyObject *module, PyObject *name)
{
    PyObject *modname = NULL, *spec = NULL, *origin = NULL, *message = NULL, *shown;
    if (PyObject_GetOptionalAttr(module, STR(__name__), &modname) < 0) return;
    if (modname && !PyUnicode_Check(modname)) Py_CLEAR(modname);
    if (PyObject_GetOptionalAttr(module, STR(__spec__), &spec) < 0) goto done;
    if (spec && spec_flag(spec, "has_location")) {
        if (PyObject_GetOptionalAttrString(spec, "origin", &origin) < 0) goto done;
        if (origin && !PyUnicode_Check(origin)) Py_CLEAR(origin);
    }
    if (!origin && PyModule_Check(module)) {
        origin = PyModule_GetFilenameObject(module);
        if (!origin) PyErr_Clear();
    }
    int shadowing = origin && modname && module_may_shadow(origin), stdlib = shadowing ? module_shadows_stdlib(modname) : 0;
    if (stdlib < 0) goto done;
    shown = modname ? modname : (modname = PyUnicode_FromString("<unknown module name>"));
    if (!shown) goto done;
    if (stdlib)
        message = PyUnicode_FromFormat("cannot import name %R from %R (consider renaming %R since it has the same name as the standard "
                                       "library module named %R and prevents importing that standard library module)",
                                       name, shown, origin, shown);
    else if (spec_flag(spec, "_initializing")) {
        if (shadowing)
            message = PyUnicode_FromFormat("cannot import name %R from %R (consider renaming %R if it has the same name as a library you "
                                           "intended to import)", name, shown, origin);
        else if (origin)
            message = PyUnicode_FromFormat("cannot import name %R from partially initialized module %R (most likely due to a circular "
                                           "import) (%S)", name, shown, origin);
        else
            message = PyUnicode_FromFormat("cannot import name %R from partially initialized module %R (most likely due to a circular "
                                           "import) (unknown location)", name, shown);
    }
    else if (origin) message = PyUnicode_FromFormat("cannot import name %R from %R (%S)", name, shown, origin);
    else message = PyUnicode_FromFormat("cannot import name %R from %R (unknown location)", name, shown);
    if (!message) goto done;
    PyErr_SetImportErrorSubclass(PyExc_ImportError, message, modname, origin);
    PyObject *exc = PyErr_GetRaisedException();
    if (exc && PyErr_GivenExceptionMatches(exc, PyExc_ImportError)) (void)PyObject_SetAttrString(exc, "name_from", name);
    if (exc) PyErr_SetRaisedException(exc);
done:
    Py_XDECREF(message);
    Py_XDECREF(origin);
    Py_XDECREF(spec);
    Py_XDECREF(modname);
}

/* An attribute, or else the submodule in sys.modules (circular imports). */
PyObject *eval_import_from(PyObject *module, PyObject *name)
{
    PyObject *v, *package;
    if (PyObject_GetOptionalAttr(module, name, &v) != 0) return v;
    if (PyObject_GetOptionalAttr(module, STR(__name__), &package) < 0) return NULL;
    if (package && PyUnicode_Check(package)) {
        PyObject *full = PyUnicode_FromFormat("%U.%U", package, name);
        Py_DECREF(package);
        if (!full) return NULL;
        v = PyImport_GetModule(full);
        Py_DECREF(full);
        if (v || PyErr_Occurred()) return v;
    }
    else Py_XDECREF(package);
    import_from_error(module, name);
    return NULL;
}

/* from module import *: __all__, or else the names of __dict__ without an underscore in front. */
static int import_all(PyObject *locals, PyObject *module)
{
    PyObject *all, *dict = NULL;
    bool skip = false;
    if (PyObject_GetOptionalAttr(module, STR(__all__), &all) < 0) return -1;
    if (!all) {
        if (PyObject_GetOptionalAttr(module, STR(__dict__), &dict) < 0) return -1;
        if (!dict) {
            PyErr_SetString(PyExc_ImportError, "from-import-* object has no __dict__ and no __all__");
            return -1;
        }
        all = PyMapping_Keys(dict);
        Py_DECREF(dict);
        if (!all) return -1;
        skip = true;
    }
    int status = 0;
    for (Py_ssize_t i = 0; status == 0; i++) {
        PyObject *name = PySequence_GetItem(all, i), *v;
        if (!name) {
            if (PyErr_ExceptionMatches(PyExc_IndexError)) PyErr_Clear();
            else status = -1;
            break;
        }
        if (!PyUnicode_Check(name)) {
            PyObject *modname = PyObject_GetAttr(module, STR(__name__));
            if (modname && !PyUnicode_Check(modname))
                PyErr_Format(PyExc_TypeError, "module __name__ must be a string, not %.100s", Py_TYPE(modname)->tp_name);
            else if (modname)
                PyErr_Format(PyExc_TypeError, "%s in %U.%s must be str, not %.100s", skip ? "Key" : "Item", modname,
                             skip ? "__dict__" : "__all__", Py_TYPE(name)->tp_name);
            Py_XDECREF(modname);
            status = -1;
        }
        else if (!(skip && PyUnicode_GET_LENGTH(name) && PyUnicode_READ_CHAR(name, 0) == '_')) {
            v = PyObject_GetAttr(module, name);
            status = !v ? -1 : PyDict_CheckExact(locals) ? PyDict_SetItem(locals, name, v) : PyObject_SetItem(locals, name, v);
            Py_XDECREF(v);
        }
        Py_DECREF(name);
    }
    Py_DECREF(all);
    return status;
}

int eval_import_star(Frame *f, PyObject *module)
{
    if (!f->f_locals) {
        PyErr_SetString(PyExc_SystemError, "no locals found during 'import *'");
        return -1;
    }
    return import_all(f->f_locals, module);
}
