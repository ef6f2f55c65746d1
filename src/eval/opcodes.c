/* The tables of opcodes.h, each one column of instructions.def. Nothing here is written twice. */
#include "eval/opcodes.h"

const OpcodeInfo opcode_info[PSEUDO_LIMIT] = {
#define INSTR(name, number, operand, pops, pushes, cache, traits)  [number] = {OPERAND_##operand, (traits), cache},
#define PSEUDO(name, number, operand, pops, pushes, cache, traits) [number] = {OPERAND_##operand, (traits), cache},
#define INSTRUMENTED(name, number, base, operand, pops, pushes, traits) [number] = {OPERAND_##operand, (traits), 0},
#include "eval/instructions.def"
};

const char *const opcode_name[PSEUDO_LIMIT] = {
#define INSTR(name, number, ...)        [number] = #name,
#define PSEUDO(name, number, ...)       [number] = #name,
#define INSTRUMENTED(name, number, ...) [number] = #name,
#define SPECIALIZED(name, number, ...)  [number] = #name,
#include "eval/instructions.def"
};

enum {                                  /* so that specialised rows can name the cache size of their family */
#define INSTR(name, number, operand, pops, pushes, cache, traits) CACHES_##name = cache,
#include "eval/instructions.def"
    CACHES_INSTRUMENTED_INSTRUCTION = 0, CACHES_INSTRUMENTED_LINE = 0,
};

const uint8_t opcode_cache_units[OPCODE_LIMIT] = {
#define INSTR(name, number, operand, pops, pushes, cache, traits)               [number] = cache,
#define INSTRUMENTED(name, number, base, operand, pops, pushes, traits)         [number] = CACHES_##base,
#define SPECIALIZED(name, number, family)                                       [number] = CACHES_##family,
#include "eval/instructions.def"
};

/* A number that is no instruction deoptimises to itself too: the verifier refuses it by name. */
#define INSTR(name, number, ...)           _Static_assert(name == number, "number of " #name);
#define PSEUDO(name, number, ...)          _Static_assert(name == number, "number of " #name);
#define INSTRUMENTED(name, number, ...)    _Static_assert(name == number, "number of " #name);
#define SPECIALIZED(name, number, ...)     _Static_assert(name == number, "number of " #name);
#include "eval/instructions.def"

#define UNUSED_(n) [n] = n,
const uint8_t opcode_deopt[OPCODE_LIMIT] = {
#define INSTR(name, number, ...)                 [number] = number,
#define INSTRUMENTED(name, number, base, ...)    [number] = base,
#define SPECIALIZED(name, number, family)        [number] = family,
#include "eval/instructions.def"
    UNUSED_(119) UNUSED_(120) UNUSED_(121) UNUSED_(122) UNUSED_(123) UNUSED_(124) UNUSED_(125) UNUSED_(126) UNUSED_(127)
    UNUSED_(128) UNUSED_(129) UNUSED_(130) UNUSED_(131) UNUSED_(132) UNUSED_(133) UNUSED_(134) UNUSED_(135) UNUSED_(136)
    UNUSED_(137) UNUSED_(138) UNUSED_(139) UNUSED_(140) UNUSED_(141) UNUSED_(142) UNUSED_(143) UNUSED_(144) UNUSED_(145)
    UNUSED_(146) UNUSED_(147) UNUSED_(148) UNUSED_(223) UNUSED_(224) UNUSED_(225) UNUSED_(226) UNUSED_(227) UNUSED_(228)
    UNUSED_(229) UNUSED_(230) UNUSED_(231) UNUSED_(232) UNUSED_(233) UNUSED_(234) UNUSED_(235) UNUSED_(255)
};

int opcode_pops(int op, int oparg)
{
    switch (op) {
#define INSTR(name, number, operand, pops, ...)              case number: return pops;
#define PSEUDO(name, number, operand, pops, ...)             case number: return pops;
#define INSTRUMENTED(name, number, base, operand, pops, ...) case number: return pops;
#include "eval/instructions.def"
    }
    return -1;
}

int opcode_pushes(int op, int oparg)
{
    switch (op) {
#define INSTR(name, number, operand, pops, pushes, ...)              case number: return pushes;
#define PSEUDO(name, number, operand, pops, pushes, ...)             case number: return pushes;
#define INSTRUMENTED(name, number, base, operand, pops, pushes, ...) case number: return pushes;
#include "eval/instructions.def"
    }
    return -1;
}

int opcode_stack_effect(int op, int oparg, int jump)
{
    if (op < 0 || op >= PSEUDO_LIMIT) return STACK_EFFECT_INVALID;
    int pops = opcode_pops(op, oparg), pushes = opcode_pushes(op, oparg);
    if (pops < 0 || pushes < 0) return STACK_EFFECT_INVALID;
    return opcode_is_block_push(op) && !jump ? 0 : pushes - pops;
}

#define NB_OPERATORS(X)                                                                                                 \
    X(ADD, "+") X(AND, "&") X(FLOOR_DIVIDE, "//") X(LSHIFT, "<<") X(MATRIX_MULTIPLY, "@") X(MULTIPLY, "*")              \
    X(REMAINDER, "%") X(OR, "|") X(POWER, "**") X(RSHIFT, ">>") X(SUBTRACT, "-") X(TRUE_DIVIDE, "/") X(XOR, "^")

const char *const opcode_nb_names[26] = {
#define X(name, symbol) [NB_##name] = "NB_" #name, [NB_INPLACE_##name] = "NB_INPLACE_" #name,
    NB_OPERATORS(X)
#undef X
};

const char *const opcode_nb_symbols[26] = {
#define X(name, symbol) [NB_##name] = symbol, [NB_INPLACE_##name] = symbol "=",
    NB_OPERATORS(X)
#undef X
};

#define NAMED(x) [x] = #x
const char *const opcode_intrinsic_1_names[INTRINSIC_1_COUNT] = {
    NAMED(INTRINSIC_1_INVALID), NAMED(INTRINSIC_PRINT), NAMED(INTRINSIC_IMPORT_STAR), NAMED(INTRINSIC_STOPITERATION_ERROR),
    NAMED(INTRINSIC_ASYNC_GEN_WRAP), NAMED(INTRINSIC_UNARY_POSITIVE), NAMED(INTRINSIC_LIST_TO_TUPLE), NAMED(INTRINSIC_TYPEVAR),
    NAMED(INTRINSIC_PARAMSPEC), NAMED(INTRINSIC_TYPEVARTUPLE), NAMED(INTRINSIC_SUBSCRIPT_GENERIC), NAMED(INTRINSIC_TYPEALIAS),
};

const char *const opcode_intrinsic_2_names[INTRINSIC_2_COUNT] = {
    NAMED(INTRINSIC_2_INVALID), NAMED(INTRINSIC_PREP_RERAISE_STAR), NAMED(INTRINSIC_TYPEVAR_WITH_BOUND),
    NAMED(INTRINSIC_TYPEVAR_WITH_CONSTRAINTS), NAMED(INTRINSIC_SET_FUNCTION_TYPE_PARAMS), NAMED(INTRINSIC_SET_TYPEPARAM_DEFAULT),
};
