/* The classes of the `ast` module: AST with its constructor, and the rest made from the tables. */
#include "syntax/ast_private.h"
#include <structmember.h>

/* ---- tables ---- */

const FieldInfo ast_fields[] = {
#define FIELD(type, kind, quantity, field_type, name_) \
    { #name_, QUANTITY_##quantity, TYPE_##field_type, offsetof(struct type, v.kind.name_) },
#define PART(type, quantity, field_type, name_) { #name_, QUANTITY_##quantity, TYPE_##field_type, offsetof(struct type, name_) },
#include "syntax/tree.def"
    { NULL, 0, 0, 0 }
};

#define OFFSET_NONE(type) 0
#define OFFSET_LOOSE(type) offsetof(struct type, lineno)
#define OFFSET_STRICT(type) offsetof(struct type, lineno)

const ClassInfo ast_classes[] = {
    [CLASS_AST] = { .name = "AST", .sort = SORT_BASE },
#define ENUM(type) [CLASS_##type] = { .name = #type, .base = CLASS_AST, .sort = SORT_ENUM },
#define VALUE(type, name_) [CLASS_##name_] = { .name = #name_, .base = CLASS_##type, .sort = SORT_VALUE, .value = name_ },
#define SUM(type, attributes_) \
    [CLASS_##type] = { .name = #type, .base = CLASS_AST, .sort = SORT_SUM, .attributes = ATTRIBUTES_##attributes_, \
                       .size = sizeof(struct type), .attributes_offset = OFFSET_##attributes_(type) },
#define CASE(type, kind) \
    [CLASS_##kind] = { .name = #kind, .base = CLASS_##type, .sort = SORT_CASE, .value = kind##_kind, \
                       .first_field = FIRST_##kind, .last_field = LAST_##kind, .size = sizeof(struct type) },
#define PRODUCT(type, attributes_) \
    [CLASS_##type] = { .name = #type, .base = CLASS_AST, .sort = SORT_PRODUCT, .attributes = ATTRIBUTES_##attributes_, \
                       .first_field = FIRST_##type, .last_field = LAST_##type, .size = sizeof(struct type), \
                       .attributes_offset = OFFSET_##attributes_(type) },
#include "syntax/tree.def"
};

static const char *const attribute_names[ATTRIBUTE_COUNT] = { "lineno", "col_offset", "end_lineno", "end_col_offset" };

static const char *type_name(int type)
{
    switch (type) {
    case TYPE_identifier: return "identifier";
    case TYPE_string: return "string";
    case TYPE_constant: return "constant";
    case TYPE_int: return "int";
    default: return ast_classes[type].name;
    }
}

/* ---- AST: memory ---- */

static int ast_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((AstObject *)self)->dict);
    return 0;
}

static int ast_clear(PyObject *self)
{
    Py_CLEAR(((AstObject *)self)->dict);
    return 0;
}

static void ast_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    Py_TRASHCAN_BEGIN(self, ast_dealloc)
    ast_clear(self);
    type->tp_free(self);
    Py_DECREF(type);
    Py_TRASHCAN_END
}

/* ---- AST: construction ---- */

/* A value for a field that the caller left out. 0 or -1. */
static int init_missing(AstState *state, PyObject *self, PyObject *name, PyObject *field_types)
{
    PyObject *type = PyDict_GetItemWithError(field_types, name);
    if (!type) {
        if (PyErr_Occurred()) return -1;
        return PyErr_WarnFormat(PyExc_DeprecationWarning, 1,
                                "Field '%U' is missing from %.400s._field_types. This will become an error in Python 3.15.", name,
                                Py_TYPE(self)->tp_name);
    }
    if (Py_IS_TYPE(type, state->union_type)) return 0;     /* the class has a None for it */
    if (Py_IS_TYPE(type, &Py_GenericAliasType)) {
        PyObject *empty = PyList_New(0);
        int status = empty ? PyObject_SetAttr(self, name, empty) : -1;
        Py_XDECREF(empty);
        return status;
    }
    if (type == state->classes[CLASS_expr_context]) return PyObject_SetAttr(self, name, state->instances[CLASS_Load]);
    return PyErr_WarnFormat(PyExc_DeprecationWarning, 1,
                            "%.400s.__init__ missing 1 required positional argument: '%U'. "
                            "This will become an error in Python 3.15.", Py_TYPE(self)->tp_name, name);
}

static int init_all_missing(AstState *state, PyObject *self, PyObject *remaining)
{
    PyObject *field_types, *list = NULL;
    int status = -1;
    if (PyObject_GetOptionalAttr((PyObject *)Py_TYPE(self), state->s_field_types, &field_types) < 0) return -1;
    if (!field_types) return 0;                            /* a subclass of the user's: as it was before 3.13 */
    if (!PyDict_Check(field_types)) {
        PyErr_Format(PyExc_TypeError, "%.400s._field_types must be a dict", Py_TYPE(self)->tp_name);
        goto done;
    }
    if (!(list = PySequence_List(remaining))) goto done;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); i++)
        if (init_missing(state, self, PyList_GET_ITEM(list, i), field_types) < 0) goto done;
    status = 0;
done:
    Py_XDECREF(list);
    Py_DECREF(field_types);
    return status;
}

static int init_keyword(AstState *state, PyObject *self, PyObject *fields, PyObject **attributes, PyObject *remaining,
                        PyObject *key, PyObject *value)
{
    int known = PySequence_Contains(fields, key);
    if (known < 0) return -1;
    if (known) {
        int there = PySet_Discard(remaining, key);
        if (there < 0) return -1;
        if (!there) {
            PyErr_Format(PyExc_TypeError, "%.400s got multiple values for argument %R", Py_TYPE(self)->tp_name, key);
            return -1;
        }
    }
    else {
        if (!*attributes && !(*attributes = PyObject_GetAttr((PyObject *)Py_TYPE(self), state->s_attributes))) return -1;
        known = PySequence_Contains(*attributes, key);
        if (known < 0) return -1;
        if (!known && PyErr_WarnFormat(PyExc_DeprecationWarning, 1,
                                       "%.400s.__init__ got an unexpected keyword argument '%U'. Support for arbitrary keyword "
                                       "arguments is deprecated and will be removed in Python 3.15.",
                                       Py_TYPE(self)->tp_name, key) < 0)
            return -1;
    }
    return PyObject_SetAttr(self, key, value);
}

static int ast_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    AstState *state = ast_state();
    if (!state) return -1;
    PyObject *fields = NULL, *attributes = NULL, *remaining = NULL, *key, *value;
    int status = -1;
    Py_ssize_t field_count = 0, given = PyTuple_GET_SIZE(args), at = 0;
    if (!(fields = PyObject_GetAttr((PyObject *)Py_TYPE(self), state->s_fields))) goto done;
    if ((field_count = PySequence_Size(fields)) < 0) goto done;
    if (!(remaining = PySet_New(fields))) goto done;
    if (field_count < given) {
        PyErr_Format(PyExc_TypeError, "%.400s constructor takes at most %zd positional argument%s", Py_TYPE(self)->tp_name,
                     field_count, field_count == 1 ? "" : "s");
        goto done;
    }
    for (Py_ssize_t i = 0; i < given; i++) {
        PyObject *name = PySequence_GetItem(fields, i);
        if (!name) goto done;
        int failed = PyObject_SetAttr(self, name, PyTuple_GET_ITEM(args, i)) < 0 || PySet_Discard(remaining, name) < 0;
        Py_DECREF(name);
        if (failed) goto done;
    }
    while (kwargs && PyDict_Next(kwargs, &at, &key, &value))
        if (init_keyword(state, self, fields, &attributes, remaining, key, value) < 0) goto done;
    status = PySet_GET_SIZE(remaining) ? init_all_missing(state, self, remaining) : 0;
done:
    Py_XDECREF(fields);
    Py_XDECREF(attributes);
    Py_XDECREF(remaining);
    return status;
}

/* (class, (None, ...), dict): as many Nones as there are leading fields set, so that unpickling warns of nothing. */
static PyObject *ast_reduce(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    AstState *state = ast_state();
    if (!state) return NULL;
    PyObject *dict = NULL, *fields = NULL, *args = NULL, *result = NULL;
    if (PyObject_GetOptionalAttr(self, state->s_dict, &dict) < 0) return NULL;
    if (!dict) return Py_BuildValue("O()", Py_TYPE(self));
    if (PyObject_GetOptionalAttr((PyObject *)Py_TYPE(self), state->s_fields, &fields) < 0) goto done;
    if (!fields) {
        result = Py_BuildValue("O()O", Py_TYPE(self), dict);
        goto done;
    }
    Py_ssize_t count = PySequence_Size(fields), present = 0;
    if (count < 0) goto done;
    for (; present < count; present++) {
        PyObject *name = PySequence_GetItem(fields, present);
        if (!name) goto done;
        int there = PyMapping_HasKeyWithError(dict, name);
        Py_DECREF(name);
        if (there < 0) goto done;
        if (!there) break;
    }
    if (!(args = PyTuple_New(present))) goto done;
    for (Py_ssize_t i = 0; i < present; i++) PyTuple_SET_ITEM(args, i, Py_NewRef(Py_None));
    result = Py_BuildValue("OOO", Py_TYPE(self), args, dict);
done:
    Py_XDECREF(dict);
    Py_XDECREF(fields);
    Py_XDECREF(args);
    return result;
}

static PyMethodDef ast_methods[] = { { "__reduce__", ast_reduce, METH_NOARGS, NULL }, { 0 } };
static PyMemberDef ast_members[] = {
    { "__dictoffset__", Py_T_PYSSIZET, offsetof(AstObject, dict), Py_READONLY, NULL }, { 0 }
};
static PyGetSetDef ast_getset[] = { { "__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, NULL, NULL }, { 0 } };

static PyType_Slot ast_slots[] = {
    { Py_tp_dealloc, ast_dealloc }, { Py_tp_getattro, PyObject_GenericGetAttr }, { Py_tp_setattro, PyObject_GenericSetAttr },
    { Py_tp_traverse, ast_traverse }, { Py_tp_clear, ast_clear }, { Py_tp_members, ast_members }, { Py_tp_methods, ast_methods },
    { Py_tp_getset, ast_getset }, { Py_tp_init, ast_init }, { Py_tp_alloc, PyType_GenericAlloc }, { Py_tp_new, PyType_GenericNew },
    { Py_tp_free, PyObject_GC_Del }, { 0, NULL }
};
static PyType_Spec ast_spec = {
    "ast.AST", sizeof(AstObject), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC, ast_slots
};

/* ---- making the classes ---- */

/* "BinOp(expr left, operator op, expr right)", appended to *text. */
static int append_signature(PyObject **text, const ClassInfo *c)
{
    PyObject *s = PyUnicode_FromString(c->name);
    for (int i = c->first_field; s && i < c->last_field; i++) {
        const FieldInfo *f = &ast_fields[i];
        const char *mark = f->quantity == QUANTITY_SEQ ? "*" : f->quantity == QUANTITY_OPT ? "?" : "";
        Py_SETREF(s, PyUnicode_FromFormat("%U%s%s%s %s%s", s, i == c->first_field ? "(" : ", ", type_name(f->type), mark, f->name,
                                          i + 1 == c->last_field ? ")" : ""));
    }
    PyUnicode_AppendAndDel(text, s);
    return *text ? 0 : -1;
}

/* What the class stands for, in the notation of the abstract grammar. */
static PyObject *class_doc(int id)
{
    const ClassInfo *c = &ast_classes[id];
    PyObject *doc = PyUnicode_FromString("");
    if (c->sort == SORT_CASE || c->sort == SORT_PRODUCT || c->sort == SORT_VALUE) {
        if (doc) append_signature(&doc, c);
        return doc;
    }
    bool first = true;
    for (int k = 0; doc && k < CLASS_COUNT; k++) {
        const ClassInfo *member = &ast_classes[k];
        if (member->base != id || (member->sort != SORT_CASE && member->sort != SORT_VALUE)) continue;
        if (first) PyUnicode_AppendAndDel(&doc, PyUnicode_FromFormat("%s = ", c->name));
        else if (c->sort == SORT_ENUM) PyUnicode_AppendAndDel(&doc, PyUnicode_FromString(" | "));
        else PyUnicode_AppendAndDel(&doc, PyUnicode_FromFormat("\n%*s | ", (int)strlen(c->name), ""));
        if (doc) append_signature(&doc, member);
        first = false;
    }
    return doc;
}

static PyObject *fields_tuple(AstState *state, const ClassInfo *c)
{
    PyObject *tuple = PyTuple_New(c->last_field - c->first_field);
    for (int i = c->first_field; tuple && i < c->last_field; i++)
        PyTuple_SET_ITEM(tuple, i - c->first_field, Py_NewRef(state->field_names[i]));
    return tuple;
}

static int make_class(AstState *state, int id)
{
    const ClassInfo *c = &ast_classes[id];
    PyObject *fields = fields_tuple(state, c), *doc = class_doc(id), *base = state->classes[c->base];
    int status = -1;
    if (fields && doc) {
        state->classes[id] = PyObject_CallFunction((PyObject *)&PyType_Type, "s(O){OOOOsssO}", c->name, base, state->s_fields, fields,
                                                   state->s_match_args, fields, "__module__", "ast", "__doc__", doc);
        if (state->classes[id]) status = 0;
    }
    Py_XDECREF(fields);
    Py_XDECREF(doc);
    return status;
}

/* Sets _attributes; the optional ones get a None on the class. */
static int add_attributes(AstState *state, int id)
{
    const ClassInfo *c = &ast_classes[id];
    int count = c->attributes == ATTRIBUTES_NONE ? 0 : ATTRIBUTE_COUNT;
    PyObject *tuple = PyTuple_New(count);
    if (!tuple) return -1;
    for (int i = 0; i < count; i++) PyTuple_SET_ITEM(tuple, i, Py_NewRef(state->attribute_names[i]));
    int status = PyObject_SetAttr(state->classes[id], state->s_attributes, tuple);
    Py_DECREF(tuple);
    for (int i = ATTRIBUTE_end_lineno; status == 0 && c->attributes == ATTRIBUTES_LOOSE && i < ATTRIBUTE_COUNT; i++)
        status = PyObject_SetAttr(state->classes[id], state->attribute_names[i], Py_None);
    return status;
}

static PyObject *field_annotation(AstState *state, const FieldInfo *f)
{
    PyObject *type = f->type == TYPE_int ? (PyObject *)&PyLong_Type
                   : f->type == TYPE_constant ? (PyObject *)&PyBaseObject_Type
                   : f->type == TYPE_identifier || f->type == TYPE_string ? (PyObject *)&PyUnicode_Type : state->classes[f->type];
    if (f->quantity == QUANTITY_SEQ) return Py_GenericAlias((PyObject *)&PyList_Type, type);
    return f->quantity == QUANTITY_OPT ? PyNumber_Or(type, Py_None) : Py_NewRef(type);
}

/* _field_types, and a None on the class for each optional field. */
static int add_field_types(AstState *state, int id)
{
    const ClassInfo *c = &ast_classes[id];
    PyObject *types = PyDict_New();
    int status = types ? 0 : -1;
    for (int i = c->first_field; status == 0 && i < c->last_field; i++) {
        const FieldInfo *f = &ast_fields[i];
        PyObject *type = field_annotation(state, f);
        status = type ? PyDict_SetItem(types, state->field_names[i], type) : -1;
        Py_XDECREF(type);
        if (status == 0 && f->quantity == QUANTITY_OPT) status = PyObject_SetAttr(state->classes[id], state->field_names[i], Py_None);
    }
    if (status == 0) status = PyObject_SetAttr(state->classes[id], state->s_field_types, types);
    if (status == 0) status = PyObject_SetAttrString(state->classes[id], "__annotations__", types);
    Py_XDECREF(types);
    return status;
}

static int intern(PyObject **place, const char *text)
{
    return (*place = PyUnicode_InternFromString(text)) ? 0 : -1;
}

static int state_fill(AstState *state)
{
    if (intern(&state->s_fields, "_fields") < 0 || intern(&state->s_attributes, "_attributes") < 0 ||
        intern(&state->s_field_types, "_field_types") < 0 || intern(&state->s_match_args, "__match_args__") < 0 ||
        intern(&state->s_dict, "__dict__") < 0)
        return -1;
    for (int i = 0; i < FIELD_COUNT; i++) if (intern(&state->field_names[i], ast_fields[i].name) < 0) return -1;
    for (int i = 0; i < ATTRIBUTE_COUNT; i++) if (intern(&state->attribute_names[i], attribute_names[i]) < 0) return -1;
    PyObject *sample = PyNumber_Or((PyObject *)&PyLong_Type, Py_None);
    if (!sample) return -1;
    state->union_type = (PyTypeObject *)Py_NewRef(Py_TYPE(sample));
    Py_DECREF(sample);

    PyObject *ast = state->classes[CLASS_AST] = PyType_FromSpec(&ast_spec), *empty = PyTuple_New(0);
    int status = ast && empty ? 0 : -1;
    if (status == 0) status = PyObject_SetAttr(ast, state->s_fields, empty);
    if (status == 0) status = PyObject_SetAttr(ast, state->s_match_args, empty);
    if (status == 0) status = PyObject_SetAttr(ast, state->s_attributes, empty);
    Py_XDECREF(empty);
    for (int id = 1; status == 0 && id < CLASS_COUNT; id++) {
        int sort = ast_classes[id].sort;
        status = make_class(state, id);
        if (status == 0 && (sort == SORT_ENUM || sort == SORT_SUM || sort == SORT_PRODUCT)) status = add_attributes(state, id);
        if (status == 0 && sort == SORT_VALUE && !(state->instances[id] = PyType_GenericNew((PyTypeObject *)state->classes[id], NULL, NULL)))
            status = -1;
    }
    for (int id = 1; status == 0 && id < CLASS_COUNT; id++) {
        int sort = ast_classes[id].sort;
        if (sort == SORT_CASE || sort == SORT_PRODUCT || sort == SORT_VALUE) status = add_field_types(state, id);
    }
    return status;
}

static void state_free(PyObject *capsule)
{
    AstState *state = PyCapsule_GetPointer(capsule, "taipan.ast");
    if (!state) {
        PyErr_Clear();
        return;
    }
    for (int i = 0; i < CLASS_COUNT; i++) {
        Py_CLEAR(state->instances[i]);
        Py_CLEAR(state->classes[i]);
    }
    for (int i = 0; i < FIELD_COUNT; i++) Py_CLEAR(state->field_names[i]);
    for (int i = 0; i < ATTRIBUTE_COUNT; i++) Py_CLEAR(state->attribute_names[i]);
    Py_CLEAR(state->s_fields);
    Py_CLEAR(state->s_attributes);
    Py_CLEAR(state->s_field_types);
    Py_CLEAR(state->s_match_args);
    Py_CLEAR(state->s_dict);
    Py_CLEAR(state->union_type);
    PyMem_Free(state);
}

AstState *ast_state(void)
{
    PyObject *dict = PyInterpreterState_GetDict(PyInterpreterState_Get());
    PyObject *key = dict ? PyUnicode_InternFromString("taipan.ast") : NULL;
    if (!key) {
        if (!PyErr_Occurred()) PyErr_SetString(PyExc_RuntimeError, "the interpreter has no dictionary");
        return NULL;
    }
    PyObject *capsule = PyDict_GetItemWithError(dict, key);
    AstState *state = NULL;
    if (capsule) state = PyCapsule_GetPointer(capsule, "taipan.ast");
    else if (!PyErr_Occurred()) {
        state = PyMem_Calloc(1, sizeof *state);
        capsule = state ? PyCapsule_New(state, "taipan.ast", state_free) : PyErr_NoMemory();
        if (!capsule) {
            PyMem_Free(state);
            state = NULL;
        }
        else if (state_fill(state) < 0 || PyDict_SetItem(dict, key, capsule) < 0) state = NULL;
        Py_XDECREF(capsule);                               /* frees the state when it was not stored */
    }
    Py_DECREF(key);
    return state;
}
