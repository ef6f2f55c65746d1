/* `from __future__ import ...`: what the head of a module asks for. Only a docstring may stand before it. */
#include "compile/compile_private.h"

static const struct { const char *name; int flag; } features[] = {
    { FUTURE_NESTED_SCOPES, 0 }, { FUTURE_GENERATORS, 0 }, { FUTURE_DIVISION, 0 }, { FUTURE_ABSOLUTE_IMPORT, 0 },
    { FUTURE_WITH_STATEMENT, 0 }, { FUTURE_PRINT_FUNCTION, 0 }, { FUTURE_UNICODE_LITERALS, 0 },
    { FUTURE_BARRY_AS_BDFL, CO_FUTURE_BARRY_AS_BDFL }, { FUTURE_GENERATOR_STOP, 0 }, { FUTURE_ANNOTATIONS, CO_FUTURE_ANNOTATIONS },
};

static int future_feature(PyObject *filename, alias_ty a, int *flags)
{
    for (size_t i = 0; i < ARRAY_LENGTH(features); i++) {
        if (!PyUnicode_EqualToUTF8(a->name, features[i].name)) continue;
        *flags |= features[i].flag;
        return 0;
    }
    if (PyUnicode_EqualToUTF8(a->name, "braces")) PyErr_SetString(PyExc_SyntaxError, "not a chance");
    else {
        const char *name = PyUnicode_AsUTF8(a->name);
        if (!name) return -1;
        PyErr_Format(PyExc_SyntaxError, "future feature %.100s is not defined", name);
    }
    PyErr_RangedSyntaxLocationObject(filename, a->lineno, a->col_offset + 1, a->end_lineno, a->end_col_offset + 1);
    return -1;
}

int future_scan(mod_ty tree, PyObject *filename, int *flags, Location *last)
{
    *last = NO_LOCATION;
    stmt_seq *body = tree->kind == Module_kind ? tree->v.Module.body : tree->kind == Interactive_kind ? tree->v.Interactive.body : NULL;
    for (Py_ssize_t i = body && tree_docstring(body) ? 1 : 0; i < seq_len(body); i++) {
        stmt_ty s = seq_get(body, i);
        if (s->kind != ImportFrom_kind || s->v.ImportFrom.level != 0 || !s->v.ImportFrom.module ||
            !PyUnicode_EqualToUTF8(s->v.ImportFrom.module, "__future__"))
            return 0;
        for (Py_ssize_t k = 0; k < seq_len(s->v.ImportFrom.names); k++)
            if (future_feature(filename, seq_get(s->v.ImportFrom.names, k), flags) < 0) return -1;
        *last = LOC(s);
    }
    return 0;
}
