/* What the rest of Taipan may call of the front end's first half: text to syntax tree, trees to `ast` objects and back, and
 * SyntaxErrors that show where. */
#ifndef TAIPAN_SYNTAX_H
#define TAIPAN_SYNTAX_H

#include "syntax/tree.h"

/* ---- text to tree. All return NULL with an exception set (SyntaxError and its kin, ValueError for NULs, MemoryError ...) ----
 * start: Py_file_input, Py_eval_input, Py_single_input or Py_func_type_input. filename: str (or what compile() was given, decoded).
 * flags may be NULL; cf_flags: PyCF_TYPE_COMMENTS, PyCF_DONT_IMPLY_DEDENT, PyCF_ALLOW_INCOMPLETE_INPUT, PyCF_IGNORE_COOKIE,
 * CO_FUTURE_BARRY_AS_BDFL ... (PyCF_ONLY_AST and PyCF_ALLOW_TOP_LEVEL_AWAIT concern the compiler, and are ignored here);
 * cf_feature_version is the minor version (0 means the newest). */

/* Source as bytes: BOM and coding cookie decide the encoding, unless PyCF_IGNORE_COOKIE says that it is UTF-8. */
mod_ty syntax_parse_bytes(Arena *arena, const char *source, Py_ssize_t length, PyObject *filename, int start,
                          const PyCompilerFlags *flags);

/* The same for the content of a file that is being run: errors at its end stand elsewhere. */
mod_ty syntax_parse_file(Arena *arena, const char *source, Py_ssize_t length, PyObject *filename, int start,
                         const PyCompilerFlags *flags);

/* Source that is a str, bytes or anything with the buffer interface, as compile() takes it (TypeError and ValueError as compile()
 * says them: `function` is the name in the message, "compile", "eval" or "exec"; `what` like "string, bytes or AST"). */
mod_ty syntax_parse_object(Arena *arena, PyObject *source, PyObject *filename, int start, const PyCompilerFlags *flags,
                           const char *function, const char *what);

/* One interactive statement (start Py_single_input), or a whole file. `read_line` returns a new str object with the next line
 * and its newline, an empty str at the end, NULL with an exception; `prompt` is 0 for the first line of a statement and 1 for
 * the rest. */
typedef PyObject *(*SyntaxReadLine)(void *context, int prompt);
mod_ty syntax_parse_lines(Arena *arena, SyntaxReadLine read_line, void *context, PyObject *filename, int start,
                          const PyCompilerFlags *flags, int *error_was_eof);

/* ---- trees and ast objects ---- */

/* 1 when object is an instance of ast.AST of the current interpreter, 0 when not, -1 with an exception. */
int tree_is_object(PyObject *object);
/* mode: 0 exec, 1 eval, 2 single. TypeError when the object is not what the mode wants. Not validated: call tree_validate. */
mod_ty tree_from_object(Arena *arena, PyObject *object, int mode);
PyObject *tree_to_object(mod_ty tree);                     /* new */
/* 0, or -1 with ValueError, TypeError or RecursionError: what the parser guarantees by itself. */
int tree_validate(mod_ty tree);

/* The source form of an expression, as annotations under `from __future__ import annotations` keep it. New str. */
PyObject *tree_unparse_expr(expr_ty e);

/* The docstring that begins a body. BORROWED from the tree; NULL without an exception: there is none. */
PyObject *tree_docstring(stmt_seq *body);

/* ---- the text of an error ---- */

/* Line `lineno` of the file as a new str with its newline, or NULL without an exception. For tracebacks and SyntaxErrors of the compiler. */
PyObject *syntax_line_of_file(PyObject *filename, int lineno);


#endif
