/* wrap_*: special methods of C types, each of which checks its arguments and calls the C slot. */
#include "objects/memoryview.h"
#include "objects/type_slots_private.h"

COLD NOINLINE static bool count_error(const char *space, PyObject *args, Py_ssize_t n)
{
    PyErr_Format(PyExc_TypeError, "%sexpected %zd argument%s, got %zd", space, n, n == 1 ? "" : "s", PyTuple_GET_SIZE(args));
    return false;
}

static bool check_count(PyObject *args, Py_ssize_t n) { return LIKELY(PyTuple_GET_SIZE(args) == n) || count_error("", args, n); }

/* Where CPython unpacks the arguments of a function without a name. */
static bool check_unpacked(PyObject *args, Py_ssize_t n) { return LIKELY(PyTuple_GET_SIZE(args) == n) || count_error(" ", args, n); }

static PyObject *none_or_error(int status)
{
    if (status < 0) return NULL;
    Py_RETURN_NONE;
}

#define ARG(i) PyTuple_GET_ITEM(args, i)
#define WRAPPER(name) PyObject *wrap_##name(PyObject *self, PyObject *args, void *wrapped)
#define AS(type) ((type)(uintptr_t)wrapped)

WRAPPER(unary) { return check_count(args, 0) ? AS(unaryfunc)(self) : NULL; }
WRAPPER(binary) { return check_count(args, 1) ? AS(binaryfunc)(self, ARG(0)) : NULL; }
WRAPPER(binary_left) { return check_count(args, 1) ? AS(binaryfunc)(self, ARG(0)) : NULL; }
WRAPPER(binary_right) { return check_count(args, 1) ? AS(binaryfunc)(ARG(0), self) : NULL; }

WRAPPER(ternary)
{
    PyObject *other, *modulus = Py_None;
    if (!PyArg_UnpackTuple(args, "", 1, 2, &other, &modulus)) return NULL;
    return AS(ternaryfunc)(self, other, modulus);
}

WRAPPER(ternary_right)
{
    PyObject *other, *modulus = Py_None;
    if (!PyArg_UnpackTuple(args, "", 1, 2, &other, &modulus)) return NULL;
    return AS(ternaryfunc)(other, self, modulus);
}

WRAPPER(len)
{
    if (!check_count(args, 0)) return NULL;
    Py_ssize_t n = AS(lenfunc)(self);
    return n == -1 && PyErr_Occurred() ? NULL : PyLong_FromSsize_t(n);
}

WRAPPER(bool)
{
    if (!check_count(args, 0)) return NULL;
    int r = AS(inquiry)(self);
    return r == -1 && PyErr_Occurred() ? NULL : PyBool_FromLong(r);
}

WRAPPER(index_argument)
{
    if (!check_unpacked(args, 1)) return NULL;
    Py_ssize_t i = PyNumber_AsSsize_t(ARG(0), PyExc_OverflowError);
    return i == -1 && PyErr_Occurred() ? NULL : AS(ssizeargfunc)(self, i);
}

/* The index of self[arg], counted from the end when negative; -1 with or without exception as usual. */
static Py_ssize_t item_index(PyObject *self, PyObject *arg)
{
    Py_ssize_t i = PyNumber_AsSsize_t(arg, PyExc_OverflowError);
    if (i == -1 && PyErr_Occurred()) return -1;
    if (i < 0) {
        PySequenceMethods *sq = Py_TYPE(self)->tp_as_sequence;
        if (sq && sq->sq_length) {
            Py_ssize_t n = sq->sq_length(self);
            if (n < 0) return -1;
            i += n;
        }
    }
    return i;
}

WRAPPER(item)
{
    if (!check_count(args, 1)) return NULL;
    Py_ssize_t i = item_index(self, ARG(0));
    return i == -1 && PyErr_Occurred() ? NULL : AS(ssizeargfunc)(self, i);
}

WRAPPER(set_item)
{
    if (!check_unpacked(args, 2)) return NULL;
    Py_ssize_t i = item_index(self, ARG(0));
    if (i == -1 && PyErr_Occurred()) return NULL;
    return none_or_error(AS(ssizeobjargproc)(self, i, ARG(1)));
}

WRAPPER(del_item)
{
    if (!check_count(args, 1)) return NULL;
    Py_ssize_t i = item_index(self, ARG(0));
    if (i == -1 && PyErr_Occurred()) return NULL;
    return none_or_error(AS(ssizeobjargproc)(self, i, NULL));
}

WRAPPER(contains)
{
    if (!check_count(args, 1)) return NULL;
    int r = AS(objobjproc)(self, ARG(0));
    return r == -1 && PyErr_Occurred() ? NULL : PyBool_FromLong(r);
}

WRAPPER(set_subscript) { return check_unpacked(args, 2) ? none_or_error(AS(objobjargproc)(self, ARG(0), ARG(1))) : NULL; }
WRAPPER(del_subscript) { return check_count(args, 1) ? none_or_error(AS(objobjargproc)(self, ARG(0), NULL)) : NULL; }

/* object.__setattr__(cls, ...) must not go around what a C base of the class does in its own tp_setattro. */
static bool may_set(PyObject *self, setattrofunc function, const char *what)
{
    PyTypeObject *type = Py_TYPE(self), *definer = type;
    PyObject *mro = type->tp_mro;
    if (!mro) return true;
    /* who brought the function that is in the slot; Python classes never do */
    for (Py_ssize_t i = PyTuple_GET_SIZE(mro) - 1; i >= 0; i--) {
        PyTypeObject *base = (PyTypeObject *)PyTuple_GET_ITEM(mro, i);
        if (base->tp_setattro == slot_tp_setattro || base->tp_setattro != type->tp_setattro) continue;
        definer = base;
        break;
    }
    for (PyTypeObject *base = definer; base; base = base->tp_base) {
        if (base->tp_setattro == function) break;
        if (base->tp_setattro == slot_tp_setattro) continue;
        PyErr_Format(PyExc_TypeError, "can't apply this %s to %s object", what, type->tp_name);
        return false;
    }
    return true;
}

WRAPPER(setattr)
{
    if (!check_unpacked(args, 2) || !may_set(self, AS(setattrofunc), "__setattr__")) return NULL;
    return none_or_error(AS(setattrofunc)(self, ARG(0), ARG(1)));
}

WRAPPER(delattr)
{
    if (!check_count(args, 1) || !may_set(self, AS(setattrofunc), "__delattr__")) return NULL;
    return none_or_error(AS(setattrofunc)(self, ARG(0), NULL));
}

WRAPPER(hash)
{
    if (!check_count(args, 0)) return NULL;
    Py_hash_t h = AS(hashfunc)(self);
    return h == -1 && PyErr_Occurred() ? NULL : PyLong_FromSsize_t(h);
}

#define COMPARE(name, op) \
    WRAPPER(name) { return check_count(args, 1) ? AS(richcmpfunc)(self, ARG(0), op) : NULL; }
COMPARE(lt, Py_LT)
COMPARE(le, Py_LE)
COMPARE(eq, Py_EQ)
COMPARE(ne, Py_NE)
COMPARE(gt, Py_GT)
COMPARE(ge, Py_GE)

WRAPPER(next)
{
    if (!check_count(args, 0)) return NULL;
    PyObject *result = AS(iternextfunc)(self);
    if (!result && !PyErr_Occurred()) PyErr_SetNone(PyExc_StopIteration);
    return result;
}

WRAPPER(descr_get)
{
    PyObject *obj, *type = NULL;
    if (!PyArg_UnpackTuple(args, "", 1, 2, &obj, &type)) return NULL;
    if (obj == Py_None) obj = NULL;
    if (type == Py_None) type = NULL;
    if (!type && !obj) {
        PyErr_SetString(PyExc_TypeError, "__get__(None, None) is invalid");
        return NULL;
    }
    return AS(descrgetfunc)(self, obj, type);
}

WRAPPER(descr_set) { return check_unpacked(args, 2) ? none_or_error(AS(descrsetfunc)(self, ARG(0), ARG(1))) : NULL; }
WRAPPER(descr_delete) { return check_count(args, 1) ? none_or_error(AS(descrsetfunc)(self, ARG(0), NULL)) : NULL; }

WRAPPER(del)
{
    if (!check_count(args, 0)) return NULL;
    AS(destructor)(self);
    Py_RETURN_NONE;
}

PyObject *wrap_call(PyObject *self, PyObject *args, void *wrapped, PyObject *kwds) { return AS(ternaryfunc)(self, args, kwds); }

PyObject *wrap_init(PyObject *self, PyObject *args, void *wrapped, PyObject *kwds)
{
    return none_or_error(AS(initproc)(self, args, kwds));
}

WRAPPER(buffer)
{
    if (!check_unpacked(args, 1)) return NULL;
    Py_ssize_t flags = PyNumber_AsSsize_t(ARG(0), PyExc_OverflowError);
    if (flags == -1 && PyErr_Occurred()) return NULL;
    if (flags > INT_MAX || flags < INT_MIN) {
        PyErr_SetString(PyExc_OverflowError, "buffer flags out of range");
        return NULL;
    }
    return memoryview_from_function(self, (int)flags, AS(getbufferproc));
}

WRAPPER(release_buffer)
{
    if (!check_unpacked(args, 1)) return NULL;
    PyObject *arg = ARG(0);
    if (!PyMemoryView_Check(arg)) {
        PyErr_SetString(PyExc_TypeError, "expected a memoryview object");
        return NULL;
    }
    PyMemoryViewObject *view = (PyMemoryViewObject *)arg;
    if (!view->view.obj) Py_RETURN_NONE;                    /* released already */
    if (view->view.obj != self) {
        PyErr_SetString(PyExc_ValueError, "memoryview's buffer is not this object");
        return NULL;
    }
    if (view->flags & _Py_MEMORYVIEW_RELEASED) {
        PyErr_SetString(PyExc_ValueError, "memoryview's buffer has already been released");
        return NULL;
    }
    return PyObject_CallMethod(arg, "release", NULL);       /* the reference to self is that of the managed buffer */
}
