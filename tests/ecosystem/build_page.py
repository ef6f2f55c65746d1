"""An extension module in C is compiled the way sysconfig says, and loaded; a virtual environment sees it."""
import importlib.util
import os
import shlex
import subprocess
import sys
import sysconfig

TEXT = r'''
#include <Python.h>
#include <structmember.h>

typedef struct { PyObject_HEAD double x; PyObject *label; } Spot;
static PyMemberDef spot_members[] = { {"x", T_DOUBLE, offsetof(Spot, x), 0, "where"}, {"label", T_OBJECT_EX, offsetof(Spot, label), 0, NULL}, {NULL} };
static int spot_init(Spot *self, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"x", "label", NULL};
    PyObject *label = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "d|O", names, &self->x, &label)) return -1;
    Py_XSETREF(self->label, Py_XNewRef(label));
    return 0;
}
static int spot_traverse(Spot *self, visitproc visit, void *arg) { Py_VISIT(Py_TYPE(self)); Py_VISIT(self->label); return 0; }
static int spot_clear(Spot *self) { Py_CLEAR(self->label); return 0; }
static void spot_dealloc(Spot *self) { PyTypeObject *t = Py_TYPE(self); PyObject_GC_UnTrack(self); spot_clear(self); t->tp_free(self); Py_DECREF(t); }
static PyObject *spot_add(PyObject *a, PyObject *b)
{
    if (Py_TYPE(a) != Py_TYPE(b)) Py_RETURN_NOTIMPLEMENTED;
    return PyObject_CallFunction((PyObject *)Py_TYPE(a), "d", ((Spot *)a)->x + ((Spot *)b)->x);
}
static PyType_Slot spot_slots[] = { {Py_tp_init, spot_init}, {Py_tp_traverse, spot_traverse}, {Py_tp_clear, spot_clear}, {Py_tp_dealloc, spot_dealloc},
    {Py_tp_members, spot_members}, {Py_nb_add, spot_add}, {Py_tp_doc, "Spot(x, label=None)\n--\n\nA spot."}, {0, NULL} };
static PyType_Spec spot_spec = { "spots.Spot", sizeof(Spot), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC, spot_slots };

static PyObject *total(PyObject *module, PyObject *const *args, Py_ssize_t n)
{
    double sum = 0;
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *fast = PySequence_Fast(args[i], "a sequence, please");
        if (!fast) return NULL;
        for (Py_ssize_t k = 0; k < PySequence_Fast_GET_SIZE(fast); k++) {
            double v = PyFloat_AsDouble(PySequence_Fast_GET_ITEM(fast, k));
            if (v == -1 && PyErr_Occurred()) { Py_DECREF(fast); return NULL; }
            sum += v;
        }
        Py_DECREF(fast);
    }
    return PyFloat_FromDouble(sum);
}
static PyMethodDef methods[] = { {"total", (PyCFunction)(void (*)(void))total, METH_FASTCALL, "total($module, *lists)\n--\n\nThe sum."}, {NULL} };
static int spots_exec(PyObject *m)
{
    PyObject *type = PyType_FromModuleAndSpec(m, &spot_spec, NULL);
    return !type || PyModule_AddObjectRef(m, "Spot", type) < 0 || PyModule_AddStringMacro(m, PY_VERSION) < 0 ? -1 : (Py_DECREF(type), 0);
}
static PyModuleDef_Slot slots[] = { {Py_mod_exec, spots_exec}, {0, NULL} };
static PyModuleDef def = { PyModuleDef_HEAD_INIT, "spots", "Spots.", 0, methods, slots };
PyMODINIT_FUNC PyInit_spots(void) { return PyModuleDef_Init(&def); }
'''
USE = r'''
import gc, inspect, pickle, weakref
import spots
s = spots.Spot(1.5, label="here")
print(s.x, s.label, (s + spots.Spot(2)).x, spots.total([1, 2], (3.5,)), spots.PY_VERSION, inspect.signature(spots.Spot), inspect.signature(spots.total), spots.Spot.__doc__, spots.__doc__)
class Sub(spots.Spot):
    def __repr__(self): return "Sub(%g)" % self.x
print(Sub(3) + Sub(4), Sub.__mro__)
for bad in (lambda: spots.Spot(), lambda: spots.Spot("x"), lambda: spots.Spot(1, 2, 3), lambda: spots.Spot(1, no=2), lambda: s + 1, lambda: spots.total(5), lambda: spots.total(["x"]),
            lambda: spots.Spot(1).label, lambda: setattr(s, "x", "q"), lambda: delattr(s, "x"), lambda: s.other, lambda: pickle.dumps(s)):
    try: print(bad())
    except Exception as e: print(type(e).__name__, e)
c = Sub(0); c.label = c; r = weakref.ref(c); del c; gc.collect(); print(r())
'''

with open("spots.c", "w") as f:
    f.write(TEXT)
target = "spots" + sysconfig.get_config_var("EXT_SUFFIX")
include = sysconfig.get_path("include")
compiler = shlex.split(sysconfig.get_config_var("CC")) + shlex.split(sysconfig.get_config_var("CCSHARED") or "-fPIC")
p = subprocess.run([*compiler, "-shared", "-O1", "-I" + include, "spots.c", "-o", target], capture_output=True, text=True)
print(p.returncode, p.stderr[:500], target)
with open("use.py", "w") as f:
    f.write(USE)
subprocess.run([sys.executable, "-m", "venv", "--without-pip", "env"], check=True)
site = subprocess.run(["env/bin/python", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], capture_output=True, text=True, check=True).stdout.strip()
print(os.path.relpath(site))
os.rename(target, os.path.join(site, target))
p = subprocess.run([os.path.abspath("env/bin/python"), "-I", "use.py"], capture_output=True, text=True)
print(p.returncode, p.stdout, p.stderr)
print(importlib.util.find_spec("spots"))
