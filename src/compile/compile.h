/* What the rest of Taipan may call of the front end's second half: trees to code objects, symbol tables, marshal.
 *
 *     tree -> fold.c -> symtable.c -> codegen*.c -> flowgraph.c -> assemble.c -> PyCodeObject
 *
 * The C functions of compile.h, pythonrun.h and marshal.h that compile or (de)serialise are defined in this folder too. */
#ifndef TAIPAN_COMPILE_H
#define TAIPAN_COMPILE_H

#include "syntax/tree.h"

/* A code object from a tree, which is folded in place. filename: str. flags: may be NULL; future features that the source
 * asks for are added to cf_flags. optimize: -1 takes the interpreter's level. New, or NULL with an exception. */
PyObject *compile_tree(mod_ty tree, PyObject *filename, PyCompilerFlags *flags, int optimize, Arena *arena);

/* Constant folding alone, as PyCF_OPTIMIZED_AST shows it. 0 or -1. */
int compile_fold(mod_ty tree, PyObject *filename, int optimize, int future_features, Arena *arena);

/* The whole of compile() after its arguments were looked at: `source` is str, bytes, a buffer or an ast object; the result is a
 * code object or, with PyCF_ONLY_AST, an ast object. start: Py_file_input, ... `function` and `what` as syntax_parse_object(). */
PyObject *compile_source(PyObject *source, PyObject *filename, int start, PyCompilerFlags *flags, int optimize,
                         const char *function, const char *what);

/* _symtable.symtable(): the top block as a `symtable entry` object. */
PyObject *compile_symtable_object(PyObject *source, PyObject *filename, int start, PyCompilerFlags *flags);

/* The stages one by one, for the tests of the compiler (`_testinternalcapi`). See seams.c. */
PyObject *compile_seam_codegen(PyObject *tree, PyObject *filename, int optimize, int mode);     /* (sequence, metadata) */
PyObject *compile_seam_optimize(PyObject *sequence, PyObject *consts, int nlocals);             /* sequence */
PyObject *compile_seam_assemble(PyObject *filename, PyObject *sequence, PyObject *metadata);    /* code */
PyObject *compile_seam_sequence(void);                                                          /* a new, empty sequence */
PyObject *compile_clean_doc(PyObject *doc);             /* a docstring without its common indentation; new */

/* Private name mangling: `name` as seen in class `private` (NULL or None: no class). New reference, interned. */
PyObject *compile_mangle(PyObject *private, PyObject *name);

#endif
