/* What is known about instructions, as tables and inline questions. Everything here is made from instructions.def.
 * The names of instructions (LOAD_FAST ...) are the macros of <opcode_ids.h>; pseudo instructions are numbered from 256. */
#ifndef TAIPAN_EVAL_OPCODES_H
#define TAIPAN_EVAL_OPCODES_H

#include "taipan.h"
#include <opcode.h>

enum { OPCODE_LIMIT = 256, PSEUDO_FIRST = 256, PSEUDO_LIMIT = 268 };

enum {                                  /* traits of an instruction */
    T_RAISES = 1, T_ESCAPES = 2, T_SCOPE_EXIT = 4, T_NO_FALLTHROUGH = 8, T_EVAL_BREAK = 16, T_PURE = 32, T_BLOCK_PUSH = 64,
};

typedef enum {                          /* what the argument is; the order is that of the columns of opcode_operand_is() */
    OPERAND_INVALID,                    /* no such instruction */
    OPERAND_NONE, OPERAND_CONST, OPERAND_NAME, OPERAND_NAME_1, OPERAND_NAME_2, OPERAND_LOCAL, OPERAND_LOCAL_2, OPERAND_CELL,
    OPERAND_COUNT, OPERAND_FORWARD, OPERAND_BACKWARD, OPERAND_TARGET, OPERAND_HANDLER,
} OperandKind;

typedef struct OpcodeInfo {
    uint8_t operand;                    /* OperandKind */
    uint8_t traits;                     /* T_* */
    int8_t caches;                      /* 16-bit units behind the instruction; -1: a pseudo instruction */
} OpcodeInfo;

extern const OpcodeInfo opcode_info[PSEUDO_LIMIT];
extern const char *const opcode_name[PSEUDO_LIMIT];          /* NULL: no such instruction */
extern const uint8_t opcode_cache_units[OPCODE_LIMIT];       /* specialised and instrumented forms included */
extern const uint8_t opcode_deopt[OPCODE_LIMIT];             /* the canonical form; itself when there is no other */

static inline bool opcode_is_valid(int op)      { return op >= 0 && op < PSEUDO_LIMIT && opcode_name[op] != NULL; }
static inline bool opcode_has_const(int op)     { return opcode_info[op].operand == OPERAND_CONST; }
static inline bool opcode_has_arg(int op)       { return opcode_info[op].operand > OPERAND_NONE; }
static inline bool opcode_has_name(int op)
{
    return opcode_info[op].operand >= OPERAND_NAME && opcode_info[op].operand <= OPERAND_NAME_2;
}
static inline bool opcode_has_local(int op)
{
    return opcode_info[op].operand == OPERAND_LOCAL || opcode_info[op].operand == OPERAND_LOCAL_2;
}
static inline bool opcode_has_cell(int op)      { return opcode_info[op].operand == OPERAND_CELL; }
static inline bool opcode_has_jump(int op)
{
    return opcode_info[op].operand >= OPERAND_FORWARD && opcode_info[op].operand <= OPERAND_TARGET;
}
static inline bool opcode_has_target(int op)    { return opcode_info[op].operand >= OPERAND_FORWARD; }
static inline bool opcode_is_block_push(int op) { return opcode_info[op].traits & T_BLOCK_PUSH; }
static inline bool opcode_is_scope_exit(int op) { return opcode_info[op].traits & T_SCOPE_EXIT; }
static inline bool opcode_no_fallthrough(int op){ return opcode_info[op].traits & (T_SCOPE_EXIT | T_NO_FALLTHROUGH); }

/* How many stack entries the instruction takes and leaves; -1 when it is unknown or the argument makes no sense. */
int opcode_pops(int op, int oparg);
int opcode_pushes(int op, int oparg);

enum { STACK_EFFECT_INVALID = INT32_MAX };
/* pushes - pops; a block setup counts only when its jump is taken (`jump` not 0). Specialised forms are invalid here. */
int opcode_stack_effect(int op, int oparg, int jump);

/* Binary operators as opcode.h numbers them (NB_ADD ...): "NB_ADD" and "+". */
extern const char *const opcode_nb_names[26];
extern const char *const opcode_nb_symbols[26];

enum {                                  /* CALL_INTRINSIC_1 */
    INTRINSIC_1_INVALID, INTRINSIC_PRINT, INTRINSIC_IMPORT_STAR, INTRINSIC_STOPITERATION_ERROR, INTRINSIC_ASYNC_GEN_WRAP,
    INTRINSIC_UNARY_POSITIVE, INTRINSIC_LIST_TO_TUPLE, INTRINSIC_TYPEVAR, INTRINSIC_PARAMSPEC, INTRINSIC_TYPEVARTUPLE,
    INTRINSIC_SUBSCRIPT_GENERIC, INTRINSIC_TYPEALIAS, INTRINSIC_1_COUNT,
};
enum {                                  /* CALL_INTRINSIC_2 */
    INTRINSIC_2_INVALID, INTRINSIC_PREP_RERAISE_STAR, INTRINSIC_TYPEVAR_WITH_BOUND, INTRINSIC_TYPEVAR_WITH_CONSTRAINTS,
    INTRINSIC_SET_FUNCTION_TYPE_PARAMS, INTRINSIC_SET_TYPEPARAM_DEFAULT, INTRINSIC_2_COUNT,
};
extern const char *const opcode_intrinsic_1_names[INTRINSIC_1_COUNT];
extern const char *const opcode_intrinsic_2_names[INTRINSIC_2_COUNT];

/* Arguments of some instructions. */
enum { RESUME_AT_FUNC_START, RESUME_AFTER_YIELD, RESUME_AFTER_YIELD_FROM, RESUME_AFTER_AWAIT, RESUME_DEPTH1 = 4 };
enum { FUNCTION_DEFAULTS = 1, FUNCTION_KWDEFAULTS = 2, FUNCTION_ANNOTATIONS = 4, FUNCTION_CLOSURE = 8 };
enum { CONVERT_STR = 1, CONVERT_REPR = 2, CONVERT_ASCII = 3 };

#endif
