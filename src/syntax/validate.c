/* The checks that a tree from elsewhere must pass before it is compiled. */
#include "syntax/ast_private.h"

int tree_validate(mod_ty tree)
{
    (void)tree;
    PyErr_SetString(PyExc_NotImplementedError, "tree_validate is not there yet");
    return -1;
}

PyObject *tree_unparse_expr(expr_ty e)
{
    (void)e;
    PyErr_SetString(PyExc_NotImplementedError, "tree_unparse_expr is not there yet");
    return NULL;
}
