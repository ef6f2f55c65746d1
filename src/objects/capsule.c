/* capsule: a C pointer with a name, for passing it through Python. */
#include "objects/type.h"

#define CAPSULE(o) ((Capsule *)(o))

typedef struct Capsule {
    PyObject_HEAD
    void *pointer;                                            /* never NULL */
    const char *name;
    void *context;
    PyCapsule_Destructor destructor;
    traverseproc traverse;                                    /* set by capsules that hold objects; tracked only then */
    inquiry clear;
} Capsule;

static bool legal(PyObject *o, const char *message)
{
    if (o && PyCapsule_CheckExact(o) && CAPSULE(o)->pointer) return true;
    PyErr_SetString(PyExc_ValueError, message);
    return false;
}

static bool same_name(const char *a, const char *b) { return a && b ? strcmp(a, b) == 0 : a == b; }

PyObject *PyCapsule_New(void *pointer, const char *name, PyCapsule_Destructor destructor)
{
    if (!pointer) {
        PyErr_SetString(PyExc_ValueError, "PyCapsule_New called with null pointer");
        return NULL;
    }
    Capsule *c = PyObject_GC_New(Capsule, &PyCapsule_Type);
    if (!c) return NULL;
    c->pointer = pointer;
    c->name = name;
    c->context = NULL;
    c->destructor = destructor;
    c->traverse = NULL;
    c->clear = NULL;
    return OBJECT(c);
}

int PyCapsule_IsValid(PyObject *o, const char *name)
{
    return o && PyCapsule_CheckExact(o) && CAPSULE(o)->pointer && same_name(CAPSULE(o)->name, name);
}

void *PyCapsule_GetPointer(PyObject *o, const char *name)
{
    if (!legal(o, "PyCapsule_GetPointer called with invalid PyCapsule object")) return NULL;
    if (same_name(name, CAPSULE(o)->name)) return CAPSULE(o)->pointer;
    PyErr_SetString(PyExc_ValueError, "PyCapsule_GetPointer called with incorrect name");
    return NULL;
}

const char *PyCapsule_GetName(PyObject *o)
{
    return legal(o, "PyCapsule_GetName called with invalid PyCapsule object") ? CAPSULE(o)->name : NULL;
}

PyCapsule_Destructor PyCapsule_GetDestructor(PyObject *o)
{
    return legal(o, "PyCapsule_GetDestructor called with invalid PyCapsule object") ? CAPSULE(o)->destructor : NULL;
}

void *PyCapsule_GetContext(PyObject *o)
{
    return legal(o, "PyCapsule_GetContext called with invalid PyCapsule object") ? CAPSULE(o)->context : NULL;
}

int PyCapsule_SetPointer(PyObject *o, void *pointer)
{
    if (!legal(o, "PyCapsule_SetPointer called with invalid PyCapsule object")) return -1;
    if (!pointer) {
        PyErr_SetString(PyExc_ValueError, "PyCapsule_SetPointer called with null pointer");
        return -1;
    }
    CAPSULE(o)->pointer = pointer;
    return 0;
}

int PyCapsule_SetName(PyObject *o, const char *name)
{
    if (!legal(o, "PyCapsule_SetName called with invalid PyCapsule object")) return -1;
    CAPSULE(o)->name = name;
    return 0;
}

int PyCapsule_SetDestructor(PyObject *o, PyCapsule_Destructor destructor)
{
    if (!legal(o, "PyCapsule_SetDestructor called with invalid PyCapsule object")) return -1;
    CAPSULE(o)->destructor = destructor;
    return 0;
}

int PyCapsule_SetContext(PyObject *o, void *context)
{
    if (!legal(o, "PyCapsule_SetContext called with invalid PyCapsule object")) return -1;
    CAPSULE(o)->context = context;
    return 0;
}

PyAPI_FUNC(int) _PyCapsule_SetTraverse(PyObject *o, traverseproc traverse, inquiry clear);
int _PyCapsule_SetTraverse(PyObject *o, traverseproc traverse, inquiry clear)
{
    if (!legal(o, "_PyCapsule_SetTraverse called with invalid PyCapsule object")) return -1;
    if (!traverse || !clear) {
        PyErr_SetString(PyExc_ValueError, "_PyCapsule_SetTraverse() called with NULL callback");
        return -1;
    }
    CAPSULE(o)->traverse = traverse;
    CAPSULE(o)->clear = clear;
    if (!PyObject_GC_IsTracked(o)) PyObject_GC_Track(o);
    return 0;
}

/* "module.attribute.attribute": imports the first part, the capsule is what the rest leads to. */
void *PyCapsule_Import(const char *name, int Py_UNUSED(no_block))
{
    PyObject *o = NULL;
    void *result = NULL;
    char *copy = PyMem_Malloc(strlen(name) + 1), *part = copy;
    if (!copy) {
        PyErr_NoMemory();
        return NULL;
    }
    strcpy(copy, name);
    while (part) {
        char *dot = strchr(part, '.');
        if (dot) *dot++ = 0;
        if (!o) {
            o = PyImport_ImportModule(part);
            if (!o) {
                PyErr_Format(PyExc_ImportError, "PyCapsule_Import could not import module \"%s\"", part);
                goto done;
            }
        }
        else {
            PyObject *next = PyObject_GetAttrString(o, part);
            Py_SETREF(o, next);
            if (!o) goto done;
        }
        part = dot;
    }
    if (PyCapsule_IsValid(o, name)) result = CAPSULE(o)->pointer;
    else PyErr_Format(PyExc_AttributeError, "PyCapsule_Import \"%s\" is not valid", name);
done:
    Py_XDECREF(o);
    PyMem_Free(copy);
    return result;
}

static void capsule_dealloc(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    if (CAPSULE(self)->destructor) CAPSULE(self)->destructor(self);
    PyObject_GC_Del(self);
}

static PyObject *capsule_repr(PyObject *self)
{
    const char *name = CAPSULE(self)->name, *quote = name ? "\"" : "";
    return PyUnicode_FromFormat("<capsule object %s%s%s at %p>", quote, name ? name : "NULL", quote, self);
}

static int capsule_traverse(PyObject *self, visitproc visit, void *arg)
{
    return CAPSULE(self)->traverse ? CAPSULE(self)->traverse(self, visit, arg) : 0;
}

static int capsule_clear(PyObject *self) { return CAPSULE(self)->clear ? CAPSULE(self)->clear(self) : 0; }

PyTypeObject PyCapsule_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "PyCapsule",
    .tp_basicsize = sizeof(Capsule),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_dealloc = capsule_dealloc,
    .tp_repr = capsule_repr,
    .tp_traverse = capsule_traverse,
    .tp_clear = capsule_clear,
    .tp_doc = "A pointer of one extension module, on its way to another.\n\n"
              "C code makes capsules with PyCapsule_New() and reads them with PyCapsule_GetPointer().",
};
