/* Symbol tables as Python sees them through _symtable: one read-only `symtable entry` object for each block. */
#include "compile/compile_private.h"
#include "objects/types_extern.h"
#include <structmember.h>

typedef struct SymtableEntry {
    PyObject_HEAD
    PyObject *id, *name, *symbols, *varnames, *children;
    int nested, type, lineno;
} SymtableEntry;

static void entry_dealloc(PyObject *self)
{
    SymtableEntry *e = (SymtableEntry *)self;
    Py_XDECREF(e->id);
    Py_XDECREF(e->name);
    Py_XDECREF(e->symbols);
    Py_XDECREF(e->varnames);
    Py_XDECREF(e->children);
    PyObject_Free(self);
}

static PyObject *entry_repr(PyObject *self)
{
    SymtableEntry *e = (SymtableEntry *)self;
    return PyUnicode_FromFormat("<symtable entry %U(%R), line %d>", e->name, e->id, e->lineno);
}

static PyMemberDef entry_members[] = {
    { "id", Py_T_OBJECT_EX, offsetof(SymtableEntry, id), Py_READONLY, NULL },
    { "name", Py_T_OBJECT_EX, offsetof(SymtableEntry, name), Py_READONLY, NULL },
    { "symbols", Py_T_OBJECT_EX, offsetof(SymtableEntry, symbols), Py_READONLY, NULL },
    { "varnames", Py_T_OBJECT_EX, offsetof(SymtableEntry, varnames), Py_READONLY, NULL },
    { "children", Py_T_OBJECT_EX, offsetof(SymtableEntry, children), Py_READONLY, NULL },
    { "nested", Py_T_INT, offsetof(SymtableEntry, nested), Py_READONLY, NULL },
    { "type", Py_T_INT, offsetof(SymtableEntry, type), Py_READONLY, NULL },
    { "lineno", Py_T_INT, offsetof(SymtableEntry, lineno), Py_READONLY, NULL },
    { 0 }
};

PyTypeObject symtable_entry_type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "symtable entry", .tp_basicsize = sizeof(SymtableEntry), .tp_dealloc = entry_dealloc, .tp_repr = entry_repr,
    .tp_getattro = PyObject_GenericGetAttr, .tp_flags = Py_TPFLAGS_DEFAULT, .tp_members = entry_members,
};

static PyObject *entry_symbols(const Scope *scope)
{
    PyObject *symbols = PyDict_New();
    for (int i = 0; symbols && i < scope->symbols.count; i++) {
        PyObject *flags = PyLong_FromLong(scope->symbols.values[i]);
        if (!flags || PyDict_SetItem(symbols, scope->symbols.keys[i], flags) < 0) Py_CLEAR(symbols);
        Py_XDECREF(flags);
    }
    return symbols;
}

static PyObject *entry_varnames(const Scope *scope)
{
    PyObject *names = PyList_New(scope->varnames_count);
    for (int i = 0; names && i < scope->varnames_count; i++) PyList_SET_ITEM(names, i, Py_NewRef(scope->varnames[i]));
    return names;
}

static PyObject *entry_of(const Scope *scope);

static PyObject *entry_children(const Scope *scope)
{
    PyObject *children = PyList_New(scope->children_count);
    for (int i = 0; children && i < scope->children_count; i++) {
        PyObject *child = entry_of(scope->children[i]);
        if (child) PyList_SET_ITEM(children, i, child);
        else Py_CLEAR(children);
    }
    return children;
}

static PyObject *entry_of(const Scope *scope)
{
    if (Py_EnterRecursiveCall(" while making symbol tables")) return NULL;
    SymtableEntry *e = PyObject_New(SymtableEntry, &symtable_entry_type);
    if (e) {
        e->name = Py_NewRef(scope->name);
        e->id = PyLong_FromVoidPtr((void *)scope->key);
        e->symbols = entry_symbols(scope);
        e->varnames = entry_varnames(scope);
        e->children = entry_children(scope);
        e->nested = scope->nested;
        e->type = (int)scope->type;
        e->lineno = scope->loc.lineno;
        if (!e->id || !e->symbols || !e->varnames || !e->children) Py_CLEAR(e);
    }
    Py_LeaveRecursiveCall();
    return (PyObject *)e;
}

PyObject *compile_symtable_object(PyObject *source, PyObject *filename, int start, PyCompilerFlags *flags)
{
    SymbolTable st;
    Location last;
    PyObject *result = NULL;
    Arena *arena = arena_new();
    if (!arena) return NULL;
    mod_ty tree = syntax_parse_object(arena, source, filename, start, flags, "symtable", "string or bytes");
    int features = flags ? flags->cf_flags : 0;
    if (tree && future_scan(tree, filename, &features, &last) == 0 && symtable_build(&st, tree, filename, features, arena) == 0)
        result = entry_of(st.top);
    arena_free(arena);
    return result;
}
