/* Trees to `ast` objects and back, driven by the tables of ast_types.c. */
#include "syntax/ast_private.h"

/* ---- to objects ---- */

static PyObject *node_to_object(AstState *state, int type, void *node);

static PyObject *value_to_object(AstState *state, int type, void *place)
{
    switch (type) {
    case TYPE_int: return PyLong_FromLong(*(int *)place);
    case TYPE_identifier: case TYPE_string: case TYPE_constant: {
        PyObject *object = *(PyObject **)place;
        return Py_NewRef(object ? object : Py_None);
    }
    }
    if (ast_classes[type].sort == SORT_ENUM) return Py_NewRef(state->instances[type + *(int *)place]);
    return node_to_object(state, type, *(void **)place);
}

static PyObject *seq_to_object(AstState *state, int type, void *place)
{
    any_seq *seq = *(any_seq **)place;
    Py_ssize_t n = seq_len(seq);
    PyObject *list = PyList_New(n);
    for (Py_ssize_t i = 0; list && i < n; i++) {
        void *item_place = ast_classes[type < TYPE_identifier ? type : 0].sort == SORT_ENUM && type < TYPE_identifier
                               ? (void *)&((cmpop_seq *)seq)->items[i] : (void *)&seq->items[i];
        PyObject *item = value_to_object(state, type, item_place);
        if (!item) {
            Py_DECREF(list);
            return NULL;
        }
        PyList_SET_ITEM(list, i, item);
    }
    return list;
}

static int fields_to_dict(AstState *state, const ClassInfo *c, const ClassInfo *outer, char *node, PyObject *dict)
{
    for (int i = c->first_field; i < c->last_field; i++) {
        const FieldInfo *f = &ast_fields[i];
        PyObject *value = (f->quantity == QUANTITY_SEQ ? seq_to_object : value_to_object)(state, f->type, node + f->offset);
        int status = value ? PyDict_SetItem(dict, state->field_names[i], value) : -1;
        Py_XDECREF(value);
        if (status < 0) return -1;
    }
    if (outer->attributes == ATTRIBUTES_NONE) return 0;
    const int *attributes = (const int *)(node + outer->attributes_offset);
    for (int i = 0; i < ATTRIBUTE_COUNT; i++) {
        PyObject *value = PyLong_FromLong(attributes[i]);
        int status = value ? PyDict_SetItem(dict, state->attribute_names[i], value) : -1;
        Py_XDECREF(value);
        if (status < 0) return -1;
    }
    return 0;
}

static PyObject *node_to_object(AstState *state, int type, void *node)
{
    if (!node) Py_RETURN_NONE;
    if (Py_EnterRecursiveCall(" during ast construction")) return NULL;
    const ClassInfo *outer = &ast_classes[type], *c = outer;
    int id = type;
    if (outer->sort == SORT_SUM) {                         /* the cases follow their sum in the table, in the order of kinds */
        id = type + *(int *)node;
        c = &ast_classes[id];
    }
    PyTypeObject *cls = (PyTypeObject *)state->classes[id];
    AstObject *object = (AstObject *)cls->tp_alloc(cls, 0);
    if (object) {
        if (!object->dict) object->dict = PyDict_New();
        if (!object->dict || fields_to_dict(state, c, outer, node, object->dict) < 0) Py_CLEAR(object);
    }
    Py_LeaveRecursiveCall();
    return (PyObject *)object;
}

PyObject *tree_to_object(mod_ty tree)
{
    AstState *state = ast_state();
    return state ? node_to_object(state, CLASS_mod, tree) : NULL;
}

/* ---- from objects ---- */

typedef struct Reader {
    AstState *state;
    Arena *arena;
} Reader;

static int node_from_object(Reader *r, int type, PyObject *object, void **out);

static int int_from_object(PyObject *object, int *out)
{
    if (!PyLong_Check(object)) {
        PyErr_Format(PyExc_ValueError, "invalid integer value: %R", object);
        return -1;
    }
    long value = PyLong_AsLong(object);
    if (value == -1 && PyErr_Occurred()) {
        if (PyErr_ExceptionMatches(PyExc_OverflowError))
            PyErr_SetString(PyExc_OverflowError, "Python int too large to convert to C int");
        return -1;
    }
    if (value > INT_MAX || value < INT_MIN) {
        PyErr_SetString(PyExc_OverflowError, "Python int too large to convert to C int");
        return -1;
    }
    *out = (int)value;
    return 0;
}

static int object_from_object(Reader *r, int type, PyObject *object, PyObject **out)
{
    if (object == Py_None && type != TYPE_constant) {
        *out = NULL;
        return 0;
    }
    if (type == TYPE_identifier && !PyUnicode_CheckExact(object)) {
        PyErr_SetString(PyExc_TypeError, "AST identifier must be of type str");
        return -1;
    }
    if (type == TYPE_string && !PyUnicode_CheckExact(object) && !PyBytes_CheckExact(object)) {
        PyErr_SetString(PyExc_TypeError, "AST string must be of type str");
        return -1;
    }
    Py_INCREF(object);
    if (type == TYPE_identifier) PyUnicode_InternInPlace(&object);
    *out = object;
    return arena_own(r->arena, object);
}

static int value_from_object(Reader *r, int type, PyObject *object, void *place)
{
    if (type == TYPE_int) return int_from_object(object, place);
    if (type >= TYPE_identifier) return object_from_object(r, type, object, place);
    if (ast_classes[type].sort != SORT_ENUM) return node_from_object(r, type, object, place);
    for (int id = type + 1; id < CLASS_COUNT && ast_classes[id].base == type; id++) {
        int is = PyObject_IsInstance(object, r->state->classes[id]);
        if (is < 0) return -1;
        if (is) {
            *(int *)place = ast_classes[id].value;
            return 0;
        }
    }
    PyErr_Format(PyExc_TypeError, "expected some sort of %s, but got %R", ast_classes[type].name, object);
    return -1;
}

static int recursion_entered(const char *name)
{
    char where[64];
    snprintf(where, sizeof where, " while traversing '%s' node", name);
    return Py_EnterRecursiveCall(where);
}

static int seq_from_object(Reader *r, const char *owner, const FieldInfo *f, PyObject *list, any_seq **out)
{
    if (!PyList_Check(list)) {
        PyErr_Format(PyExc_TypeError, "%s field \"%s\" must be a list, not a %.200s", owner, f->name, Py_TYPE(list)->tp_name);
        return -1;
    }
    Py_ssize_t n = PyList_GET_SIZE(list);
    bool ints = f->type < TYPE_identifier && ast_classes[f->type].sort == SORT_ENUM;
    any_seq *seq = seq_new_(r->arena, n, ints ? sizeof(int) : sizeof(void *));
    if (!seq) return -1;
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *item = Py_NewRef(PyList_GET_ITEM(list, i));
        if (recursion_entered(owner)) {
            Py_DECREF(item);
            return -1;
        }
        void *place = ints ? (void *)&((cmpop_seq *)seq)->items[i] : (void *)&seq->items[i];
        int status = value_from_object(r, f->type, item, place);
        Py_LeaveRecursiveCall();
        Py_DECREF(item);
        if (status < 0) return -1;
        if (PyList_GET_SIZE(list) != n) {
            PyErr_Format(PyExc_RuntimeError, "%s field \"%s\" changed size during iteration", owner, f->name);
            return -1;
        }
    }
    *out = seq;
    return 0;
}

static int missing(const char *field, const char *owner)
{
    PyErr_Format(PyExc_TypeError, "required field \"%s\" missing from %s", field, owner);
    return -1;
}

static int field_from_object(Reader *r, const ClassInfo *c, int index, PyObject *object, char *node)
{
    const FieldInfo *f = &ast_fields[index];
    PyObject *value;
    int status = -1;
    if (PyObject_GetOptionalAttr(object, r->state->field_names[index], &value) < 0) return -1;
    if (f->quantity == QUANTITY_SEQ) {
        if (!value) return 0;                              /* an empty list */
        status = seq_from_object(r, c->name, f, value, (any_seq **)(node + f->offset));
    }
    else if (f->quantity == QUANTITY_OPT && (!value || value == Py_None)) status = 0;
    else if (!value) {
        if (f->type == TYPE_expr_context) {
            *(int *)(node + f->offset) = Load;
            return 0;
        }
        return missing(f->name, c->name);
    }
    else if (recursion_entered(c->name) == 0) {
        status = value_from_object(r, f->type, value, node + f->offset);
        Py_LeaveRecursiveCall();
    }
    Py_XDECREF(value);
    return status;
}

static int attributes_from_object(Reader *r, const ClassInfo *c, PyObject *object, int *out)
{
    for (int i = 0; i < ATTRIBUTE_COUNT; i++) {
        PyObject *value;
        bool optional = c->attributes == ATTRIBUTES_LOOSE && i >= ATTRIBUTE_end_lineno;
        if (PyObject_GetOptionalAttr(object, r->state->attribute_names[i], &value) < 0) return -1;
        if (optional && (!value || value == Py_None)) {
            out[i] = out[i - 2];                           /* no end: the beginning */
            Py_XDECREF(value);
            continue;
        }
        if (!value) {
            PyErr_Format(PyExc_TypeError, "required field \"%U\" missing from %s", r->state->attribute_names[i], c->name);
            return -1;
        }
        int status = recursion_entered(c->name);
        if (status == 0) {
            status = int_from_object(value, &out[i]);
            Py_LeaveRecursiveCall();
        }
        Py_DECREF(value);
        if (status < 0) return -1;
    }
    return 0;
}

static int class_of_object(Reader *r, int type, PyObject *object)
{
    for (int id = type + 1; id < CLASS_COUNT && ast_classes[id].base == type; id++)
        if ((PyObject *)Py_TYPE(object) == r->state->classes[id]) return id;
    for (int id = type + 1; id < CLASS_COUNT && ast_classes[id].base == type; id++) {
        int is = PyObject_IsInstance(object, r->state->classes[id]);
        if (is) return is < 0 ? -1 : id;
    }
    PyErr_Format(PyExc_TypeError, "expected some sort of %s, but got %R", ast_classes[type].name, object);
    return -1;
}

static int node_from_object(Reader *r, int type, PyObject *object, void **out)
{
    const ClassInfo *outer = &ast_classes[type], *c = outer;
    *out = NULL;
    if (outer->sort == SORT_SUM && object == Py_None) return 0;
    char *node = arena_alloc(r->arena, outer->size);
    if (!node) return -1;
    if (outer->sort == SORT_SUM) {
        if (outer->attributes && attributes_from_object(r, outer, object, (int *)(node + outer->attributes_offset)) < 0) return -1;
        int id = class_of_object(r, type, object);
        if (id < 0) return -1;
        c = &ast_classes[id];
        *(int *)node = c->value;
    }
    for (int i = c->first_field; i < c->last_field; i++) if (field_from_object(r, c, i, object, node) < 0) return -1;
    if (outer->sort == SORT_PRODUCT && outer->attributes &&
        attributes_from_object(r, outer, object, (int *)(node + outer->attributes_offset)) < 0)
        return -1;
    for (int i = c->first_field; i < c->last_field; i++) {
        const FieldInfo *f = &ast_fields[i];
        bool pointer = f->type >= TYPE_identifier ? f->type != TYPE_int : ast_classes[f->type].sort != SORT_ENUM;
        if (f->quantity == QUANTITY_ONE && pointer && !*(void **)(node + f->offset)) {
            PyErr_Format(PyExc_ValueError, "field '%s' is required for %s", f->name, c->name);
            return -1;
        }
    }
    *out = node;
    return 0;
}

int tree_is_object(PyObject *object)
{
    AstState *state = ast_state();
    return state ? PyObject_IsInstance(object, state->classes[CLASS_AST]) : -1;
}

mod_ty tree_from_object(Arena *arena, PyObject *object, int mode)
{
    static const uint16_t wanted[] = { CLASS_Module, CLASS_Expression, CLASS_Interactive };
    AstState *state = ast_state();
    if (!state) return NULL;
    if (PySys_Audit("compile", "OO", object, Py_None) < 0) return NULL;
    if (mode < 0 || mode > 2) {
        PyErr_SetString(PyExc_SystemError, "mode of a tree is 0, 1 or 2");
        return NULL;
    }
    int is = PyObject_IsInstance(object, state->classes[wanted[mode]]);
    if (is < 0) return NULL;
    if (!is) {
        PyErr_Format(PyExc_TypeError, "expected %s node, got %.400s", ast_classes[wanted[mode]].name, Py_TYPE(object)->tp_name);
        return NULL;
    }
    Reader r = { state, arena };
    void *tree = NULL;
    return node_from_object(&r, CLASS_mod, object, &tree) < 0 ? NULL : tree;
}
