/* The seams between the stages, for the tests of the compiler: instruction sequences as Python objects, code generation alone,
 * optimisation alone, assembly alone. */
#include "compile/codegen_private.h"
#include "capi/args.h"
#include "objects/types_extern.h"

typedef struct Sequence {
    PyObject_HEAD
    InstrList list;
    PyObject *nested;                                  /* list of the sequences of inner units */
} Sequence;

/* ---- the type ------------------------------------------------------------------------------------------------------------ */

PyObject *compile_seam_sequence(void)
{
    Sequence *s = PyObject_New(Sequence, &instruction_sequence_type);
    if (!s) return NULL;
    s->list = (InstrList){0};
    if (!(s->nested = PyList_New(0))) Py_CLEAR(s);
    return (PyObject *)s;
}

static void sequence_dealloc(PyObject *self)
{
    Sequence *s = (Sequence *)self;
    instrs_free(&s->list);
    Py_XDECREF(s->nested);
    PyObject_Free(self);
}

/* Labels become indices; what points nowhere is an error. */
static int sequence_resolve(Sequence *s)
{
    InstrList *list = &s->list;
    for (int i = 0; list->labels && i < list->used; i++) {
        const Instr *in = &list->items[i];
        if (!opcode_has_target(in->opcode)) continue;
        if (in->oparg < 0 || in->oparg >= list->labels_used || list->labels[in->oparg] < 0) {
            PyErr_SetString(PyExc_ValueError, "label without a place");
            return -1;
        }
    }
    instrs_resolve_labels(list);
    return 0;
}

BUILTIN(sequence, use_label, KEYWORDS, "($self, /, label)", "Place the label at the current position.")
{
    InstrList *list = &((Sequence *)self)->list;
    int label = PyLong_AsInt(arg[0]);
    if (label == -1 && PyErr_Occurred()) return NULL;
    if (label < 0 || label > 1 << 20) return PyErr_Format(PyExc_ValueError, "invalid label %d", label);
    while (list->labels_used <= label)
        if (instrs_new_label(list) < 0) return NULL;
    instrs_use_label(list, label);
    Py_RETURN_NONE;
}

BUILTIN(sequence, addop, KEYWORDS, "($self, /, opcode, oparg, lineno, col_offset, end_lineno, end_col_offset)", "Append an instruction.")
{
    int v[6];
    for (int i = 0; i < 6; i++)
        if ((v[i] = PyLong_AsInt(arg[i])) == -1 && PyErr_Occurred()) return NULL;
    if (!opcode_is_valid(v[0])) return PyErr_Format(PyExc_ValueError, "invalid opcode %d", v[0]);
    /* the places come in the order that get_instructions() has: line, end line, column, end column */
    Location loc = { .lineno = v[2], .end_lineno = v[3], .col_offset = v[4], .end_col_offset = v[5] };
    if (instrs_add(&((Sequence *)self)->list, v[0], v[1], loc) < 0) return NULL;
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(sequence, new_label, "($self, /)", "Return a new label.")
{
    Label label = instrs_new_label(&((Sequence *)self)->list);
    return label < 0 ? NULL : PyLong_FromLong(label);
}

BUILTIN(sequence, add_nested, KEYWORDS, "($self, /, nested)", "Add a nested sequence.")
{
    if (Py_TYPE(arg[0]) != &instruction_sequence_type)
        return PyErr_Format(PyExc_TypeError, "expected an instruction sequence, not %T", arg[0]);
    if (PyList_Append(((Sequence *)self)->nested, arg[0]) < 0) return NULL;
    Py_RETURN_NONE;
}

BUILTIN_NOARGS(sequence, get_nested, "($self, /)", "Return the nested sequences.")
{
    return PyList_GetSlice(((Sequence *)self)->nested, 0, PY_SSIZE_T_MAX);
}

BUILTIN_NOARGS(sequence, get_instructions, "($self, /)", "Return the instructions as a list of tuples.")
{
    Sequence *s = (Sequence *)self;
    if (sequence_resolve(s) < 0) return NULL;
    PyObject *result = PyList_New(s->list.used);
    for (int i = 0; result && i < s->list.used; i++) {
        const Instr *in = &s->list.items[i];
        Location l = in->loc;
        PyObject *item = opcode_has_arg(in->opcode)
            ? Py_BuildValue("(iiiiii)", in->opcode, in->oparg, l.lineno, l.end_lineno, l.col_offset, l.end_col_offset)
            : Py_BuildValue("(iOiiii)", in->opcode, Py_None, l.lineno, l.end_lineno, l.col_offset, l.end_col_offset);
        if (item) PyList_SET_ITEM(result, i, item);
        else Py_CLEAR(result);
    }
    return result;
}

static PyMethodDef sequence_methods[] = {
    METHOD(sequence, use_label), METHOD(sequence, addop), METHOD(sequence, new_label), METHOD(sequence, add_nested),
    METHOD(sequence, get_nested), METHOD(sequence, get_instructions), {0}
};

PyTypeObject instruction_sequence_type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "InstructionSequence", .tp_basicsize = sizeof(Sequence), .tp_dealloc = sequence_dealloc,
    .tp_getattro = PyObject_GenericGetAttr, .tp_flags = Py_TPFLAGS_DEFAULT, .tp_methods = sequence_methods,
};

/* ---- code generation ------------------------------------------------------------------------------------------------------- */

PyObject *seam_take_unit(Unit *u)
{
    Sequence *s = (Sequence *)compile_seam_sequence();
    if (!s) return NULL;
    s->list = u->instrs;
    u->instrs = (InstrList){0};
    if (u->nested) Py_SETREF(s->nested, Py_NewRef(u->nested));
    return (PyObject *)s;
}

PyObject *compile_seam_codegen(PyObject *object, PyObject *filename, int optimize, int mode)
{
    Arena *arena = arena_new();
    mod_ty tree = arena ? tree_from_object(arena, object, mode) : NULL;
    PyCompilerFlags flags = { .cf_flags = 0, .cf_feature_version = PY_MINOR_VERSION };
    PyObject *result = tree && tree_validate(tree) == 0 ? compile_to_sequence(tree, filename, &flags, optimize, arena) : NULL;
    arena_free(arena);
    return result;
}

/* ---- optimisation ---------------------------------------------------------------------------------------------------------- */

static Sequence *sequence_argument(PyObject *object)
{
    if (Py_TYPE(object) != &instruction_sequence_type) {
        PyErr_SetString(PyExc_ValueError, "expected an instruction sequence");
        return NULL;
    }
    return sequence_resolve((Sequence *)object) < 0 ? NULL : (Sequence *)object;
}

static int add_consts(Backend *be, CodeMeta *meta, PyObject *list)
{
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); i++) {
        PyObject *value = const_cache_merge(be->consts, Py_NewRef(PyList_GET_ITEM(list, i)));
        if (!value) return -1;
        if (meta_add_const(be->arena, meta, value) != i) {
            PyErr_SetString(PyExc_ValueError, "constants must differ");
            return -1;
        }
    }
    return 0;
}

static int check_const_indices(const InstrList *list, const CodeMeta *meta)
{
    for (int i = 0; i < list->used; i++) {
        const Instr *in = &list->items[i];
        if (opcode_has_const(in->opcode) && (in->oparg < 0 || in->oparg >= meta->consts_count)) {
            PyErr_SetString(PyExc_ValueError, "constant index out of range");
            return -1;
        }
    }
    return 0;
}

static PyObject *optimized_sequence(const OutList *out)
{
    Sequence *s = (Sequence *)compile_seam_sequence();
    for (int i = 0; s && i < out->used; i++)
        if (instrs_add(&s->list, out->items[i].opcode, out->items[i].oparg, out->items[i].loc) < 0) Py_CLEAR(s);
    return (PyObject *)s;
}

PyObject *compile_seam_optimize(PyObject *sequence, PyObject *consts, int nlocals)
{
    Sequence *s = sequence_argument(sequence);
    if (!s) return NULL;
    if (!PyList_Check(consts)) return PyErr_Format(PyExc_TypeError, "expected a list of constants");
    ConstCache cache = {0};
    CodeMeta meta = { .firstlineno = 1 };
    Backend be = { .arena = arena_new(), .consts = &cache };
    OutList out;
    PyObject *result = NULL, *left = NULL;
    if (be.arena && add_consts(&be, &meta, consts) == 0 && check_const_indices(&s->list, &meta) == 0 &&
        flowgraph_optimize_only(&be, &s->list, &meta, nlocals, 0, &out) == 0) {
        left = names_tuple(meta.consts, meta.consts_count);
        if (left && PyList_SetSlice(consts, 0, PyList_GET_SIZE(consts), left) == 0) result = optimized_sequence(&out);
    }
    Py_XDECREF(left);
    pool_free(&be.pool);
    const_cache_free(&cache);
    arena_free(be.arena);
    return result;
}

/* ---- assembly -------------------------------------------------------------------------------------------------------------- */

static PyObject *metadata_item(PyObject *metadata, const char *key)        /* BORROWED */
{
    PyObject *value = PyDict_GetItemString(metadata, key);
    if (!value && !PyErr_Occurred()) PyErr_Format(PyExc_ValueError, "metadata without %s", key);
    return value;
}

static int metadata_names(Backend *be, PyObject *metadata, const char *key, NameMap *map)
{
    PyObject *dict = metadata_item(metadata, key), *name, *index;
    Py_ssize_t at = 0;
    if (!dict) return -1;
    if (!PyDict_Check(dict)) {
        PyErr_Format(PyExc_TypeError, "metadata: %s must be a dict", key);
        return -1;
    }
    while (PyDict_Next(dict, &at, &name, &index)) {
        int number = PyLong_AsInt(index);
        if (number == -1 && PyErr_Occurred()) return -1;
        Py_INCREF(name);
        PyUnicode_InternInPlace(&name);
        TRY(arena_own(be->arena, name));
        TRY(namemap_set(be->arena, map, name, number));
    }
    return 0;
}

static int metadata_int(PyObject *metadata, const char *key, int *out)
{
    PyObject *value = metadata_item(metadata, key);
    if (!value) return -1;
    *out = PyLong_AsInt(value);
    return *out == -1 && PyErr_Occurred() ? -1 : 0;
}

/* A list, or a dict of constants (or of tuples that end with one) to their numbers. New list. */
static PyObject *metadata_consts(PyObject *metadata)
{
    PyObject *consts = metadata_item(metadata, "consts"), *key, *index;
    if (!consts || PyList_Check(consts)) return Py_XNewRef(consts);
    if (!PyDict_Check(consts)) return PyErr_Format(PyExc_TypeError, "metadata: consts must be a dict or a list");
    Py_ssize_t at = 0, n = PyDict_GET_SIZE(consts);
    PyObject *list = PyList_New(n);
    for (Py_ssize_t i = 0; list && i < n; i++) PyList_SET_ITEM(list, i, Py_NewRef(Py_None));
    while (list && PyDict_Next(consts, &at, &key, &index)) {
        Py_ssize_t number = PyLong_AsSsize_t(index);
        if (PyTuple_CheckExact(key) && PyTuple_GET_SIZE(key) > 1) key = PyTuple_GET_ITEM(key, 1);
        if ((number == -1 && PyErr_Occurred()) || PyList_SetItem(list, number, Py_NewRef(key)) < 0) Py_CLEAR(list);
    }
    return list;
}

static int fill_metadata(Backend *be, CodeMeta *meta, PyObject *metadata)
{
    if (!(meta->name = metadata_item(metadata, "name")) || !(meta->qualname = metadata_item(metadata, "qualname"))) return -1;
    TRY(metadata_int(metadata, "argcount", &meta->argcount));
    TRY(metadata_int(metadata, "posonlyargcount", &meta->posonlyargcount));
    TRY(metadata_int(metadata, "kwonlyargcount", &meta->kwonlyargcount));
    TRY(metadata_int(metadata, "firstlineno", &meta->firstlineno));
    TRY(metadata_names(be, metadata, "names", &meta->names));
    TRY(metadata_names(be, metadata, "varnames", &meta->varnames));
    TRY(metadata_names(be, metadata, "cellvars", &meta->cellvars));
    TRY(metadata_names(be, metadata, "freevars", &meta->freevars));
    TRY(metadata_names(be, metadata, "fasthidden", &meta->fasthidden));
    PyObject *consts = metadata_consts(metadata);
    int status = consts ? add_consts(be, meta, consts) : -1;
    Py_XDECREF(consts);
    return status;
}

PyObject *compile_seam_assemble(PyObject *filename, PyObject *sequence, PyObject *metadata)
{
    Sequence *s = sequence_argument(sequence);
    if (!s) return NULL;
    if (!PyDict_Check(metadata)) return PyErr_Format(PyExc_TypeError, "metadata must be a dict");
    ConstCache cache = {0};
    CodeMeta meta = {0};
    Backend be = { .arena = arena_new(), .consts = &cache };
    OutList out;
    int depth, slots;
    PyObject *code = NULL;
    if (be.arena && fill_metadata(&be, &meta, metadata) == 0 && check_const_indices(&s->list, &meta) == 0 &&
        flowgraph_finish_only(&be, &s->list, &meta, 0, &depth, &slots, &out) == 0)
        code = assemble_code(&be, &meta, &out, depth, slots, 0, filename);
    pool_free(&be.pool);
    const_cache_free(&cache);
    arena_free(be.arena);
    return code;
}
