/* What the files of src/compile share: names and constants in tables, symbol tables, instruction lists, the state of a
 * compilation. Included nowhere else.
 *
 * Ownership: identifiers and constants found in the tree, and whatever the compiler makes itself (mangled names, qualified
 * names, folded constants), are held by the arena of the compilation. Pointers in the tables here are borrowed from it.
 * Identifiers are interned, so names are compared and hashed by address. */
#ifndef TAIPAN_COMPILE_PRIVATE_H
#define TAIPAN_COMPILE_PRIVATE_H

#include "compile/compile.h"
#include "eval/opcodes.h"
#include "runtime/state.h"
#include "syntax/syntax.h"

/* ---- places in the source --------------------------------------------------------------------------------------- */

typedef Span Location;
#define NO_LOCATION   ((Location){-1, -1, -1, -1})     /* synthetic; gets the place of what is before it */
#define NEXT_LOCATION ((Location){-2, -2, -2, -2})     /* gets the place of what follows */
#define LOC(node)     SPAN_OF(node)
enum { NO_LINE = -1, NEXT_LINE = -2 };

static inline bool location_equal(Location a, Location b)
{
    return a.lineno == b.lineno && a.col_offset == b.col_offset && a.end_lineno == b.end_lineno &&
           a.end_col_offset == b.end_col_offset;
}

/* ---- memory that lives as long as one step ----------------------------------------------------------------------- */

typedef struct PoolChunk PoolChunk;
typedef struct Pool { PoolChunk *chunks; char *next, *limit; } Pool;

void *pool_alloc(Pool *pool, size_t size);             /* uninitialised, 8-aligned; NULL with MemoryError */
void *pool_zalloc(Pool *pool, size_t size);
void pool_reset(Pool *pool);                           /* forgets everything, keeps one chunk */
void pool_free(Pool *pool);

/* ---- ordered map from addresses to numbers ---------------------------------------------------------------------- */

/* Insertion order is kept in `keys`; up to eight entries are searched one by one, more through `index`. */
typedef struct NameMap {
    int count, capacity, index_size;
    PyObject **keys;
    int *values;
    int *index;                                        /* positions + 1, 0: empty; NULL while small */
} NameMap;

int namemap_find(const NameMap *map, const void *key);                         /* position, or -1 */
int namemap_get(const NameMap *map, const void *key, int missing);             /* value */
int namemap_set(Arena *arena, NameMap *map, const void *key, int value);       /* 0, or -1 with MemoryError */
/* The value of `key`; a new key gets the next number, which is the count before. -1 with MemoryError. */
int namemap_number(Arena *arena, NameMap *map, const void *key);
int namemap_discard(NameMap *map, const void *key);                            /* 1 when it was there; keeps the order */
static inline bool namemap_has(const NameMap *map, const void *key) { return namemap_find(map, key) >= 0; }

/* New tuple of the keys sorted as str / in order. */
PyObject *namemap_keys(const NameMap *map);
void names_sort(PyObject **names, Py_ssize_t count);

/* ---- constants -------------------------------------------------------------------------------------------------- */

/* One object for all constants that are equal in value, type and sign, through the whole compilation. */
typedef struct ConstCache { PyObject **items; Py_hash_t *hashes; size_t size, used; } ConstCache;

/* The representative of `value` (STOLEN, also on failure), BORROWED from the cache. NULL with an exception. The deep one makes
 * tuples and frozensets of representatives, for constants of the source; the other leaves the items alone. */
PyObject *const_cache_merge(ConstCache *cache, PyObject *value);
PyObject *const_cache_merge_deep(ConstCache *cache, PyObject *value);
void const_cache_free(ConstCache *cache);

/* ---- symbol tables ---------------------------------------------------------------------------------------------- */

enum {                                                 /* flags of a symbol, as _symtable shows them */
    DEF_GLOBAL = 1, DEF_LOCAL = 2, DEF_PARAM = 4, DEF_NONLOCAL = 8, USE = 16, DEF_FREE_CLASS = 64, DEF_IMPORT = 128,
    DEF_ANNOT = 256, DEF_COMP_ITER = 512, DEF_TYPE_PARAM = 1024, DEF_COMP_CELL = 2048,
    DEF_BOUND = DEF_LOCAL | DEF_PARAM | DEF_IMPORT | DEF_TYPE_PARAM,
    SCOPE_OFFSET = 12, SCOPE_MASK = DEF_GLOBAL | DEF_LOCAL | DEF_PARAM | DEF_NONLOCAL,
};
enum { SCOPE_UNKNOWN, LOCAL_SCOPE, GLOBAL_EXPLICIT, GLOBAL_IMPLICIT, FREE_SCOPE, CELL_SCOPE };

typedef enum {
    FunctionBlock, ClassBlock, ModuleBlock, AnnotationBlock, TypeAliasBlock, TypeParametersBlock, TypeVariableBlock,
} BlockType;
typedef enum { NoComprehension, ListComprehension, DictComprehension, SetComprehension, GeneratorExpression } ComprehensionType;

typedef struct Directive { PyObject *name; Location loc; struct Directive *next; } Directive;

typedef struct Scope Scope;
struct Scope {
    const void *key;                                   /* the tree node (or a part of it) that opens the block */
    PyObject *name;
    Scope *parent;                                     /* where it was opened; spliced out children keep theirs */
    NameMap symbols;                                   /* name -> DEF_* | scope << SCOPE_OFFSET */
    int own_count;                                     /* symbols behind these came from inlined comprehensions or pass through */
    PyObject **varnames;                               /* parameters in order */
    int varnames_count, varnames_capacity;
    Scope **children;
    int children_count, children_capacity;
    Directive *directives, *directives_last;
    NameMap *mangled_names;                            /* not NULL: only these are mangled (type parameters of a class) */
    const char *scope_info;                            /* "a TypeVar bound" ..., for messages */
    Location loc;
    BlockType type;
    ComprehensionType comprehension;
    int comp_iter_expr;
    bool nested, generator, coroutine, varargs, varkeywords, returns_value, needs_class_closure, needs_classdict;
    bool comp_inlined, comp_iter_target, can_see_class_scope, child_free, has_free, annotations_used;
};

typedef struct SymbolTable {
    Arena *arena;
    PyObject *filename;
    PyObject *private;                                 /* the class whose body is being read, or NULL */
    Scope *top, *current;
    NameMap by_key;                                    /* node -> index into all */
    Scope **all;
    int all_count, all_capacity;
    int features;                                      /* CO_FUTURE_* and PyCF_ALLOW_TOP_LEVEL_AWAIT */
} SymbolTable;

/* 0, or -1 with an exception. Everything is made in the arena. */
int symtable_build(SymbolTable *st, mod_ty tree, PyObject *filename, int features, Arena *arena);
int symtable_analyze(SymbolTable *st);                 /* symtable_scopes.c: called by symtable_build */
Scope *symtable_lookup(SymbolTable *st, const void *key);   /* NULL with KeyError-like SystemError when missing */
int scope_symbol(const Scope *scope, PyObject *name);       /* flags, 0 when unknown */
static inline int scope_of_flags(int flags) { return (flags >> SCOPE_OFFSET) & SCOPE_MASK; }
static inline int scope_lookup(const Scope *scope, PyObject *name) { return scope_of_flags(scope_symbol(scope, name)); }
static inline bool scope_is_function_like(const Scope *s)
{
    return s->type == FunctionBlock || s->type == TypeVariableBlock || s->type == TypeAliasBlock ||
           s->type == TypeParametersBlock;
}
/* The mangled form, BORROWED from the arena. */
PyObject *mangle_name(Arena *arena, PyObject *private, PyObject *name);
PyObject *mangle_maybe(Arena *arena, PyObject *private, const Scope *scope, PyObject *name);

/* Key of the second block of a type variable, the one of its default. */
#define DEFAULT_KEY(param) ((const void *)((const char *)(param) + 1))

/* `from __future__` at the head of the tree: CO_FUTURE_* in *features, the place of the last one in *last. 0 or -1. */
int future_scan(mod_ty tree, PyObject *filename, int *features, Location *last);

/* Raises SyntaxError at a place of the tree, columns in bytes as the tree has them. Returns -1. */
int compile_error_at(PyObject *filename, Location loc, const char *format, ...);
int compile_error_at_v(PyObject *filename, Location loc, const char *format, va_list args);
int compile_warn_at(PyObject *filename, Location loc, const char *format, ...);

/* ---- instruction lists ------------------------------------------------------------------------------------------ */

typedef int Label;                                     /* number of a place in an instruction list */
enum { NO_LABEL = -1 };

typedef struct Instr {
    int opcode;
    int oparg;                                         /* of a jump or block setup: a Label, later an instruction index */
    Location loc;
} Instr;

typedef struct InstrList {
    Instr *items;                                      /* PyMem memory */
    int used, allocated;
    int *labels;                                       /* label -> index of its instruction, -1: not placed */
    int labels_used, labels_allocated;
} InstrList;

int instrs_add(InstrList *list, int opcode, int oparg, Location loc);
Label instrs_new_label(InstrList *list);               /* -1 with MemoryError */
int instrs_use_label(InstrList *list, Label label);    /* the label stands for the next instruction */
int instrs_insert(InstrList *list, int at, int opcode, int oparg, Location loc);
void instrs_resolve_labels(InstrList *list);           /* opargs of jumps become indices */
void instrs_free(InstrList *list);

/* ---- what a code object is made of besides instructions ------------------------------------------------------------- */

typedef struct CodeMeta {
    PyObject *name, *qualname;
    PyObject **consts;                                 /* in order of first use; arena memory */
    int consts_count, consts_capacity;
    NameMap consts_index;                              /* representative -> index; not kept up by the flow graph */
    NameMap names, varnames, cellvars, freevars;       /* freevars are numbered after cellvars */
    NameMap fasthidden;                                /* locals of inlined comprehensions; value 1 while hidden */
    int argcount, posonlyargcount, kwonlyargcount, firstlineno;
} CodeMeta;

/* The index of a constant (canonical object), added if it is new. -1 with MemoryError. */
int meta_add_const(Arena *arena, CodeMeta *meta, PyObject *value);

/* ---- flow graph and assembly ------------------------------------------------------------------------------------ */

typedef struct Backend {                               /* what the steps behind code generation need */
    Arena *arena;
    ConstCache *consts;
    Pool pool;
} Backend;

/* An instruction of the optimised list, jumps as instruction indices. */
typedef struct OutInstr {
    int opcode, oparg;
    Location loc;
    int handler;                                       /* index of the instruction that handles exceptions, or -1 */
    int handler_depth;                                 /* stack depth to unwind to */
    int offset;                                        /* in code units; the assembler's */
    bool preserve_lasti;
} OutInstr;
typedef struct OutList { OutInstr *items; int used; } OutList;      /* memory of the Backend's pool */

/* From generated code to instructions that only have to be written down. nparams: variables that are always bound at the start.
 * 0 or -1. `list` is not changed, but for its labels being resolved. */
int flowgraph_optimize(Backend *be, InstrList *list, CodeMeta *meta, int code_flags, int nparams, int *stackdepth,
                       int *nlocalsplus, OutList *out);
/* The optimisations without what must follow them, and the rest without the optimisations: for the seams. */
int flowgraph_optimize_only(Backend *be, InstrList *list, CodeMeta *meta, int nlocals, int nparams, OutList *out);
int flowgraph_finish_only(Backend *be, InstrList *list, CodeMeta *meta, int code_flags, int *stackdepth, int *nlocalsplus,
                          OutList *out);

/* New code object, or NULL. */
PyObject *assemble_code(Backend *be, CodeMeta *meta, OutList *list, int stackdepth, int nlocalsplus, int code_flags,
                        PyObject *filename);

#endif
