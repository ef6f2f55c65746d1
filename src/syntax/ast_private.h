/* The `ast` classes: a table of classes and one of fields made from tree.def, and the state that holds the objects.
 *
 * The state belongs to the interpreter (a capsule in PyInterpreterState_GetDict), so that compile(), `ast` and `_ast` agree. */
#ifndef TAIPAN_SYNTAX_AST_PRIVATE_H
#define TAIPAN_SYNTAX_AST_PRIVATE_H

#include "syntax/syntax.h"

enum ClassId {
    CLASS_AST,
#define ENUM(type) CLASS_##type,
#define VALUE(type, name) CLASS_##name,
#define SUM(type, attributes) CLASS_##type,
#define CASE(type, kind) CLASS_##kind,
#define PRODUCT(type, attributes) CLASS_##type,
#include "syntax/tree.def"
    CLASS_COUNT
};

/* Indices into the table of fields: FIRST_x up to LAST_x. */
enum FieldIndex {
#define CASE(type, kind) FIRST_##kind, BEFORE_##kind = FIRST_##kind - 1,
#define FIELD(type, kind, quantity, field_type, name) FIELD_##kind##_##name,
#define END_CASE(type, kind) LAST_##kind, END_##kind = LAST_##kind - 1,
#define PRODUCT(type, attributes) FIRST_##type, BEFORE_##type = FIRST_##type - 1,
#define PART(type, quantity, field_type, name) FIELD_##type##_##name,
#define END_PRODUCT(type) LAST_##type, END_##type = LAST_##type - 1,
#include "syntax/tree.def"
    FIELD_COUNT
};

enum { QUANTITY_ONE, QUANTITY_OPT, QUANTITY_SEQ };
enum { ATTRIBUTES_NONE, ATTRIBUTES_LOOSE, ATTRIBUTES_STRICT };
enum ClassSort { SORT_BASE, SORT_ENUM, SORT_VALUE, SORT_SUM, SORT_CASE, SORT_PRODUCT };

/* Types of fields: a ClassId, or one of the built-in four. */
enum { TYPE_identifier = 1000, TYPE_string, TYPE_constant, TYPE_int,
#define ENUM(type) TYPE_##type = CLASS_##type,
#define SUM(type, attributes) TYPE_##type = CLASS_##type,
#define PRODUCT(type, attributes) TYPE_##type = CLASS_##type,
#include "syntax/tree.def"
};

typedef struct FieldInfo {
    const char *name;
    uint8_t quantity;
    uint16_t type;
    uint16_t offset;                                       /* in the C struct */
} FieldInfo;

typedef struct ClassInfo {
    const char *name;
    uint16_t base;                                         /* ClassId */
    uint16_t value;                                        /* the C kind or enum value */
    uint16_t first_field, last_field;
    uint16_t size;                                         /* of the C struct */
    uint16_t attributes_offset;                            /* of lineno, when there are attributes */
    uint8_t sort, attributes;
} ClassInfo;

extern const FieldInfo ast_fields[];
extern const ClassInfo ast_classes[];

typedef struct AstObject {
    PyObject_HEAD
    PyObject *dict;
} AstObject;

enum { ATTRIBUTE_lineno, ATTRIBUTE_col_offset, ATTRIBUTE_end_lineno, ATTRIBUTE_end_col_offset, ATTRIBUTE_COUNT };

typedef struct AstState {
    PyObject *classes[CLASS_COUNT];
    PyObject *instances[CLASS_COUNT];                      /* of the enum values */
    PyObject *field_names[FIELD_COUNT + 1];
    PyObject *attribute_names[ATTRIBUTE_COUNT];
    PyObject *s_fields, *s_attributes, *s_field_types, *s_match_args, *s_dict;
    PyTypeObject *union_type;
    bool ready;
} AstState;

AstState *ast_state(void);                                 /* NULL with an exception */

#endif
