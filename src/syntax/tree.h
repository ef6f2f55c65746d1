/* The syntax tree: nodes of tree.def as C structs, the sequences between them, and the arena they live in.
 *
 * A node is written `e->kind == BinOp_kind`, `e->v.BinOp.left`, `e->lineno`; a node without alternatives has its fields directly
 * (`args->posonlyargs`, `keyword->arg`). Nothing in a tree is freed by itself: nodes and sequences are memory of the arena, and
 * objects in it (identifiers, constants) are references that the arena owns, so the tree's are borrowed. Identifiers are interned
 * and normalised (NFKC). A tree that came from the parser or passed tree_validate() obeys the grammar of the `ast` module. */
#ifndef TAIPAN_SYNTAX_TREE_H
#define TAIPAN_SYNTAX_TREE_H

#include "taipan.h"

/* ---- arena ---- */

typedef struct Arena Arena;

Arena *arena_new(void);                                    /* NULL with MemoryError */
void arena_free(Arena *arena);                             /* releases all memory and all owned objects; NULL is allowed */
void *arena_alloc(Arena *arena, size_t size);              /* zeroed, 8-aligned; NULL with MemoryError */
int arena_own(Arena *arena, PyObject *object);             /* STEALS object, also on failure; NULL object: -1 */

/* ---- kinds ---- */

typedef PyObject *identifier;                              /* str, interned */
typedef PyObject *string;                                  /* str */
typedef PyObject *constant;                                /* what a Constant may hold */

#define ENUM(type) typedef enum type { type##_invalid_ = 0,
#define VALUE(type, name) name,
#define END_ENUM(type) } type##_ty;
#include "syntax/tree.def"

#define SUM(type, attributes) typedef struct type *type##_ty; enum type##_kind { type##_invalid_kind_ = 0,
#define CASE(type, kind) kind##_kind,
#define END_SUM(type) };
#define PRODUCT(type, attributes) typedef struct type *type##_ty;
#include "syntax/tree.def"

typedef identifier identifier_ty;
typedef string string_ty;
typedef constant constant_ty;
typedef int int_ty;

/* ---- sequences: `expr_seq *`, with NULL for the empty one ---- */

typedef struct { Py_ssize_t size; void *items[]; } any_seq;
typedef struct { Py_ssize_t size; cmpop_ty items[]; } cmpop_seq;
typedef struct { Py_ssize_t size; identifier items[]; } identifier_seq;
#define SUM(type, attributes) typedef struct { Py_ssize_t size; type##_ty items[]; } type##_seq;
#define PRODUCT(type, attributes) typedef struct { Py_ssize_t size; type##_ty items[]; } type##_seq;
#include "syntax/tree.def"

#define seq_len(seq) ((seq) ? (seq)->size : 0)
#define seq_get(seq, i) ((seq)->items[i])
#define seq_set(seq, i, item) ((void)((seq)->items[i] = (item)))
/* A sequence of `size` NULL items, or NULL with MemoryError: `stmt_seq *body = SEQ_NEW(stmt, arena, n)`. */
#define SEQ_NEW(type, arena, size_) ((type##_seq *)seq_new_((arena), (size_), sizeof(((type##_seq *)NULL)->items[0])))
void *seq_new_(Arena *arena, Py_ssize_t size, size_t item_size);

/* ---- nodes ---- */

#define TREE_ATTRIBUTES_NONE
#define TREE_ATTRIBUTES_LOOSE  int lineno, col_offset, end_lineno, end_col_offset;
#define TREE_ATTRIBUTES_STRICT int lineno, col_offset, end_lineno, end_col_offset;
#define TREE_FIELD_ONE(type, name) type##_ty name;
#define TREE_FIELD_OPT(type, name) type##_ty name;
#define TREE_FIELD_SEQ(type, name) type##_seq *name;

#define SUM(type, attributes) struct type { enum type##_kind kind; TREE_ATTRIBUTES_##attributes union {
#define CASE(type, kind) struct {
#define FIELD(type, kind, quantity, field_type, name) TREE_FIELD_##quantity(field_type, name)
#define END_CASE(type, kind) } kind;
#define END_SUM(type) } v; };
#define PRODUCT(type, attributes) struct type { TREE_ATTRIBUTES_##attributes
#define PART(type, quantity, field_type, name) TREE_FIELD_##quantity(field_type, name)
#define END_PRODUCT(type) };
#include "syntax/tree.def"

/* Where a node stands: lines count from 1, columns from 0 in bytes of UTF-8; the end is exclusive. */
typedef struct { int lineno, col_offset, end_lineno, end_col_offset; } Span;
#define SPAN_OF(node) ((Span){(node)->lineno, (node)->col_offset, (node)->end_lineno, (node)->end_col_offset})
#define SPAN_FROM_TO(first, last) \
    ((Span){(first)->lineno, (first)->col_offset, (last)->end_lineno, (last)->end_col_offset})

/* A new node, or NULL with MemoryError. Fields in the order of tree.def:
 *     expr_ty e = NODE_NEW(expr, arena, span, BinOp, left, Add, right);    stmt_ty s = NODE_NEW(stmt, arena, span, Pass); */
#define NODE_NEW(type, arena, span, Kind, ...) ({                                                                       \
    struct type *node_ = arena_alloc((arena), sizeof(struct type));                                                     \
    Span span_ = (span);                                                                                                \
    if (node_)                                                                                                          \
        *node_ = (struct type){ .kind = Kind##_kind, .lineno = span_.lineno, .col_offset = span_.col_offset,            \
                                .end_lineno = span_.end_lineno, .end_col_offset = span_.end_col_offset,                 \
                                .v.Kind = { __VA_ARGS__ } };                                                            \
    node_; })

#endif
