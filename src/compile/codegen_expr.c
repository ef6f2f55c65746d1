/* Code for expressions: operators, conditions and jumps, comparisons, attributes, subscripts. Displays and calls are in
 * codegen_call.c, comprehensions in codegen_comp.c. Also the SyntaxWarnings about expressions that cannot work. */
#include "compile/codegen_private.h"

/* ---- operators -------------------------------------------------------------------------------------------------------- */

int emit_binary(Compiler *c, Location loc, operator_ty op, bool inplace)
{
    static const uint8_t number[] = {
        [Add] = NB_ADD, [Sub] = NB_SUBTRACT, [Mult] = NB_MULTIPLY, [MatMult] = NB_MATRIX_MULTIPLY, [Div] = NB_TRUE_DIVIDE,
        [Mod] = NB_REMAINDER, [Pow] = NB_POWER, [LShift] = NB_LSHIFT, [RShift] = NB_RSHIFT, [BitOr] = NB_OR, [BitXor] = NB_XOR,
        [BitAnd] = NB_AND, [FloorDiv] = NB_FLOOR_DIVIDE,
    };
    return emit_arg(c, loc, BINARY_OP, number[op] + (inplace ? NB_INPLACE_ADD - NB_ADD : 0));
}

_Static_assert(NB_INPLACE_XOR - NB_XOR == NB_INPLACE_ADD && NB_INPLACE_POWER - NB_POWER == NB_INPLACE_ADD, "same order");

/* Of COMPARE_OP: the operator above bit 5, and below it which of the results "unordered, less, greater, equal" count as true. */
int emit_compare(Compiler *c, Location loc, cmpop_ty op)
{
    enum { UNORDERED = 1, LESS = 2, GREATER = 4, EQUAL = 8 };
    switch (op) {
    case Lt:    return emit_arg(c, loc, COMPARE_OP, Py_LT << 5 | LESS);
    case LtE:   return emit_arg(c, loc, COMPARE_OP, Py_LE << 5 | LESS | EQUAL);
    case Eq:    return emit_arg(c, loc, COMPARE_OP, Py_EQ << 5 | EQUAL);
    case NotEq: return emit_arg(c, loc, COMPARE_OP, Py_NE << 5 | UNORDERED | LESS | GREATER);
    case Gt:    return emit_arg(c, loc, COMPARE_OP, Py_GT << 5 | GREATER);
    case GtE:   return emit_arg(c, loc, COMPARE_OP, Py_GE << 5 | GREATER | EQUAL);
    case Is:    return emit_arg(c, loc, IS_OP, 0);
    case IsNot: return emit_arg(c, loc, IS_OP, 1);
    case In:    return emit_arg(c, loc, CONTAINS_OP, 0);
    default:    return emit_arg(c, loc, CONTAINS_OP, 1);
    }
}

static int gen_unary(Compiler *c, expr_ty e)
{
    Location loc = LOC(e);
    TRY(gen_expr(c, e->v.UnaryOp.operand));
    switch (e->v.UnaryOp.op) {
    case UAdd:   return emit_arg(c, loc, CALL_INTRINSIC_1, INTRINSIC_UNARY_POSITIVE);
    case USub:   return emit(c, loc, UNARY_NEGATIVE);
    case Invert: return emit(c, loc, UNARY_INVERT);
    default:
        TRY(emit(c, loc, TO_BOOL));
        return emit(c, loc, UNARY_NOT);
    }
}

/* ---- warnings --------------------------------------------------------------------------------------------------------- */

/* The type that an expression certainly has, or NULL. */
static PyTypeObject *static_type(expr_ty e)
{
    switch (e->kind) {
    case Tuple_kind:        return &PyTuple_Type;
    case List_kind:
    case ListComp_kind:     return &PyList_Type;
    case Dict_kind:
    case DictComp_kind:     return &PyDict_Type;
    case Set_kind:
    case SetComp_kind:      return &PySet_Type;
    case GeneratorExp_kind: return &PyGen_Type;
    case Lambda_kind:       return &PyFunction_Type;
    case JoinedStr_kind:
    case FormattedValue_kind: return &PyUnicode_Type;
    case Constant_kind:     return Py_TYPE(e->v.Constant.value);
    default:                return NULL;
    }
}

static bool may_compare_by_identity(expr_ty e)
{
    if (e->kind != Constant_kind) return true;
    PyObject *value = e->v.Constant.value;
    return value == Py_None || value == Py_False || value == Py_True || value == Py_Ellipsis;
}

static int warn_identity(Compiler *c, expr_ty e)
{
    expr_ty left = e->v.Compare.left;
    for (Py_ssize_t i = 0; i < seq_len(e->v.Compare.ops); i++) {
        cmpop_ty op = seq_get(e->v.Compare.ops, i);
        expr_ty right = seq_get(e->v.Compare.comparators, i);
        if ((op == Is || op == IsNot) && !(may_compare_by_identity(left) && may_compare_by_identity(right))) {
            const char *message = op == Is ? "\"is\" with '%.200s' literal. Did you mean \"==\"?"
                                           : "\"is not\" with '%.200s' literal. Did you mean \"!=\"?";
            return compile_warn_at(c->filename, LOC(e), message, static_type(may_compare_by_identity(left) ? right : left)->tp_name);
        }
        left = right;
    }
    return 0;
}

static int warn_subscripted(Compiler *c, expr_ty e)
{
    PyObject *v;
    switch (e->kind) {
    case Constant_kind:
        v = e->v.Constant.value;
        if (v != Py_None && v != Py_Ellipsis && !PyLong_Check(v) && !PyFloat_Check(v) && !PyComplex_Check(v) && !PyAnySet_Check(v))
            return 0;
        break;
    case Set_kind:
    case SetComp_kind:
    case GeneratorExp_kind:
    case Lambda_kind:
        break;
    default:
        return 0;
    }
    return compile_warn_at(c->filename, LOC(e), "'%.200s' object is not subscriptable; perhaps you missed a comma?",
                           static_type(e)->tp_name);
}

static int warn_index(Compiler *c, expr_ty e, expr_ty index)
{
    PyTypeObject *type = static_type(index);
    if (!type || PyType_FastSubclass(type, Py_TPFLAGS_LONG_SUBCLASS) || type == &PySlice_Type) return 0;
    PyObject *v;
    switch (e->kind) {
    case Constant_kind:
        v = e->v.Constant.value;
        if (!PyUnicode_Check(v) && !PyBytes_Check(v) && !PyTuple_Check(v)) return 0;
        break;
    case Tuple_kind:
    case List_kind:
    case ListComp_kind:
    case JoinedStr_kind:
    case FormattedValue_kind:
        break;
    default:
        return 0;
    }
    return compile_warn_at(c->filename, LOC(e), "%.200s indices must be integers or slices, not %.200s; perhaps you missed a comma?",
                           static_type(e)->tp_name, type->tp_name);
}

/* ---- conditions --------------------------------------------------------------------------------------------------------- */

static int gen_boolop(Compiler *c, expr_ty e)
{
    Location loc = LOC(e);
    int jump = e->v.BoolOp.op == And ? POP_JUMP_IF_FALSE : POP_JUMP_IF_TRUE;
    expr_seq *values = e->v.BoolOp.values;
    NEW_LABEL(c, end);
    for (Py_ssize_t i = 0; i < seq_len(values); i++) {
        TRY(gen_expr(c, seq_get(values, i)));
        if (i == seq_len(values) - 1) break;
        TRY(emit_arg(c, loc, COPY, 1));
        TRY(emit(c, loc, TO_BOOL));
        TRY(emit_jump(c, loc, jump, end));
        TRY(emit(c, loc, POP_TOP));
    }
    return place(c, end);
}

static int gen_ifexp(Compiler *c, expr_ty e)
{
    NEW_LABEL(c, end);
    NEW_LABEL(c, otherwise);
    TRY(gen_jump_if(c, LOC(e), e->v.IfExp.test, otherwise, false));
    TRY(gen_expr(c, e->v.IfExp.body));
    TRY(emit_jump(c, NO_LOCATION, JUMP_NO_INTERRUPT, end));
    place(c, otherwise);
    TRY(gen_expr(c, e->v.IfExp.orelse));
    return place(c, end);
}

/* One link of a < b < c: [left, right] -> [right, result] */
static int gen_compare_link(Compiler *c, Location loc, expr_ty right, cmpop_ty op)
{
    TRY(gen_expr(c, right));
    TRY(emit_arg(c, loc, SWAP, 2));
    TRY(emit_arg(c, loc, COPY, 2));
    return emit_compare(c, loc, op);
}

static int gen_compare(Compiler *c, expr_ty e)
{
    Location loc = LOC(e);
    Py_ssize_t last = seq_len(e->v.Compare.ops) - 1;
    TRY(warn_identity(c, e));
    TRY(gen_expr(c, e->v.Compare.left));
    if (last == 0) {
        TRY(gen_expr(c, seq_get(e->v.Compare.comparators, 0)));
        return emit_compare(c, loc, seq_get(e->v.Compare.ops, 0));
    }
    NEW_LABEL(c, cleanup);
    for (Py_ssize_t i = 0; i < last; i++) {
        TRY(gen_compare_link(c, loc, seq_get(e->v.Compare.comparators, i), seq_get(e->v.Compare.ops, i)));
        TRY(emit_arg(c, loc, COPY, 1));
        TRY(emit(c, loc, TO_BOOL));
        TRY(emit_jump(c, loc, POP_JUMP_IF_FALSE, cleanup));
        TRY(emit(c, loc, POP_TOP));
    }
    TRY(gen_expr(c, seq_get(e->v.Compare.comparators, last)));
    TRY(emit_compare(c, loc, seq_get(e->v.Compare.ops, last)));
    NEW_LABEL(c, end);
    TRY(emit_jump(c, NO_LOCATION, JUMP_NO_INTERRUPT, end));
    place(c, cleanup);
    TRY(emit_arg(c, loc, SWAP, 2));
    TRY(emit(c, loc, POP_TOP));
    return place(c, end);
}

static int jump_if_boolop(Compiler *c, Location loc, expr_ty e, Label target, bool when)
{
    expr_seq *values = e->v.BoolOp.values;
    Py_ssize_t last = seq_len(values) - 1;
    bool is_or = e->v.BoolOp.op == Or;                 /* an operand that is like this decides */
    Label decided = target;
    if (is_or != when) TRY(emit_label(c, &decided));
    for (Py_ssize_t i = 0; i < last; i++) TRY(gen_jump_if(c, loc, seq_get(values, i), decided, is_or));
    TRY(gen_jump_if(c, loc, seq_get(values, last), target, when));
    return decided != target ? place(c, decided) : 0;
}

static int jump_if_ifexp(Compiler *c, Location loc, expr_ty e, Label target, bool when)
{
    NEW_LABEL(c, end);
    NEW_LABEL(c, otherwise);
    TRY(gen_jump_if(c, loc, e->v.IfExp.test, otherwise, false));
    TRY(gen_jump_if(c, loc, e->v.IfExp.body, target, when));
    TRY(emit_jump(c, NO_LOCATION, JUMP_NO_INTERRUPT, end));
    place(c, otherwise);
    TRY(gen_jump_if(c, loc, e->v.IfExp.orelse, target, when));
    return place(c, end);
}

static int jump_if_chain(Compiler *c, expr_ty e, Label target, bool when)
{
    Location loc = LOC(e);
    Py_ssize_t last = seq_len(e->v.Compare.ops) - 1;
    TRY(warn_identity(c, e));
    NEW_LABEL(c, cleanup);
    TRY(gen_expr(c, e->v.Compare.left));
    for (Py_ssize_t i = 0; i < last; i++) {
        TRY(gen_compare_link(c, loc, seq_get(e->v.Compare.comparators, i), seq_get(e->v.Compare.ops, i)));
        TRY(emit(c, loc, TO_BOOL));
        TRY(emit_jump(c, loc, POP_JUMP_IF_FALSE, cleanup));
    }
    TRY(gen_expr(c, seq_get(e->v.Compare.comparators, last)));
    TRY(emit_compare(c, loc, seq_get(e->v.Compare.ops, last)));
    TRY(emit(c, loc, TO_BOOL));
    TRY(emit_jump(c, loc, when ? POP_JUMP_IF_TRUE : POP_JUMP_IF_FALSE, target));
    NEW_LABEL(c, end);
    TRY(emit_jump(c, NO_LOCATION, JUMP_NO_INTERRUPT, end));
    place(c, cleanup);
    TRY(emit(c, loc, POP_TOP));
    if (!when) TRY(emit_jump(c, NO_LOCATION, JUMP_NO_INTERRUPT, target));
    return place(c, end);
}

static int gen_jump_if_inner(Compiler *c, Location loc, expr_ty e, Label target, bool when)
{
    switch (e->kind) {
    case UnaryOp_kind:
        if (e->v.UnaryOp.op == Not) return gen_jump_if(c, loc, e->v.UnaryOp.operand, target, !when);
        break;
    case BoolOp_kind:
        return jump_if_boolop(c, loc, e, target, when);
    case IfExp_kind:
        return jump_if_ifexp(c, loc, e, target, when);
    case Compare_kind:
        if (seq_len(e->v.Compare.ops) > 1) return jump_if_chain(c, e, target, when);
        break;
    default:
        break;
    }
    TRY(gen_expr(c, e));
    TRY(emit(c, LOC(e), TO_BOOL));
    return emit_jump(c, LOC(e), when ? POP_JUMP_IF_TRUE : POP_JUMP_IF_FALSE, target);
}

int gen_jump_if(Compiler *c, Location loc, expr_ty e, Label target, bool when)
{
    if (Py_EnterRecursiveCall(" during compilation")) return -1;
    int status = gen_jump_if_inner(c, loc, e, target, when);
    Py_LeaveRecursiveCall();
    return status;
}

/* ---- attributes and subscripts -------------------------------------------------------------------------------------------- */

Location attribute_location(Location loc, expr_ty attribute)
{
    if (loc.lineno == attribute->end_lineno) return loc;
    Py_ssize_t length = PyUnicode_GET_LENGTH(attribute->v.Attribute.attr);
    loc.lineno = attribute->end_lineno;
    if (length <= attribute->end_col_offset) loc.col_offset = attribute->end_col_offset - (int)length;
    else loc.col_offset = loc.end_col_offset = -1;     /* a tree that was never text */
    return loc;
}

/* `self.name = ...` in a method: the class remembers the name. */
static int note_static_attribute(Compiler *c, expr_ty e)
{
    expr_ty object = e->v.Attribute.value;
    if (object->kind != Name_kind || e->v.Attribute.ctx != Store || object->v.Name.id != STR(self)) return 0;
    for (Unit *u = c->u->parent; u; u = u->parent)
        if (u->kind == UNIT_CLASS) return namemap_set(c->arena, &u->static_attributes, e->v.Attribute.attr, 1);
    return 0;
}

static int gen_attribute(Compiler *c, expr_ty e)
{
    if (e->v.Attribute.ctx == Load) {
        int done = gen_super_attribute(c, e, false);
        if (done) return done < 0 ? -1 : 0;
    }
    TRY(note_static_attribute(c, e));
    TRY(gen_expr(c, e->v.Attribute.value));
    Location loc = attribute_location(LOC(e), e);
    switch (e->v.Attribute.ctx) {
    case Store:
        TRY(refuse_debug(c, LOC(e), e->v.Attribute.attr, Store));
        return emit_named(c, loc, STORE_ATTR, e->v.Attribute.attr);
    case Del:
        return emit_named(c, loc, DELETE_ATTR, e->v.Attribute.attr);
    default:
        return emit_named(c, loc, LOAD_ATTR, e->v.Attribute.attr);
    }
}

bool is_two_element_slice(expr_ty s) { return s->kind == Slice_kind && !s->v.Slice.step; }

static int gen_optional(Compiler *c, Location loc, expr_ty e) { return e ? gen_expr(c, e) : emit_const(c, loc, Py_None); }

int gen_slice(Compiler *c, expr_ty s)
{
    TRY(gen_optional(c, LOC(s), s->v.Slice.lower));
    TRY(gen_optional(c, LOC(s), s->v.Slice.upper));
    if (!s->v.Slice.step) return 2;
    TRY(gen_expr(c, s->v.Slice.step));
    return 3;
}

static int gen_subscript(Compiler *c, expr_ty e)
{
    Location loc = LOC(e);
    expr_ty index = e->v.Subscript.slice;
    expr_context_ty ctx = e->v.Subscript.ctx;
    if (ctx == Load) {
        TRY(warn_subscripted(c, e->v.Subscript.value));
        TRY(warn_index(c, e->v.Subscript.value, index));
    }
    TRY(gen_expr(c, e->v.Subscript.value));
    if (is_two_element_slice(index) && ctx != Del) {
        TRY(gen_slice(c, index));
        return emit(c, loc, ctx == Load ? BINARY_SLICE : STORE_SLICE);
    }
    TRY(gen_expr(c, index));
    return emit(c, loc, ctx == Load ? BINARY_SUBSCR : ctx == Store ? STORE_SUBSCR : DELETE_SUBSCR);
}

/* ---- suspension ----------------------------------------------------------------------------------------------------------- */

static int gen_yield(Compiler *c, expr_ty e)
{
    if (!scope_is_function_like(c->u->scope)) return ERROR_AT(c, LOC(e), "'yield' outside function");
    TRY(gen_optional(c, LOC(e), e->v.Yield.value));
    return emit_yield(c, LOC(e));
}

static int gen_yield_from(Compiler *c, expr_ty e)
{
    Location loc = LOC(e);
    if (!scope_is_function_like(c->u->scope)) return ERROR_AT(c, loc, "'yield from' outside function");
    if (c->u->kind == UNIT_ASYNC_FUNCTION) return ERROR_AT(c, loc, "'yield from' inside async function");
    TRY(gen_expr(c, e->v.YieldFrom.value));
    TRY(emit(c, loc, GET_YIELD_FROM_ITER));
    TRY(emit_const(c, loc, Py_None));
    return emit_yield_from(c, loc, false);
}

static int gen_await(Compiler *c, expr_ty e)
{
    if (!top_level_await(c)) {
        if (!scope_is_function_like(c->u->scope)) return ERROR_AT(c, LOC(e), "'await' outside function");
        if (c->u->kind != UNIT_ASYNC_FUNCTION && c->u->kind != UNIT_COMPREHENSION)
            return ERROR_AT(c, LOC(e), "'await' outside async function");
    }
    TRY(gen_expr(c, e->v.Await.value));
    return emit_await(c, LOC(e), 0);
}

/* ---- all expressions -------------------------------------------------------------------------------------------------------- */

static int gen_named_expr(Compiler *c, expr_ty e)
{
    TRY(gen_expr(c, e->v.NamedExpr.value));
    TRY(emit_arg(c, LOC(e), COPY, 1));
    return gen_expr(c, e->v.NamedExpr.target);
}

static int gen_list_or_tuple(Compiler *c, expr_ty e, expr_seq *elts, expr_context_ty ctx)
{
    if (ctx == Load) return gen_display(c, e);
    return ctx == Store ? gen_unpack(c, LOC(e), elts) : gen_exprs(c, elts);
}

static int gen_expr_inner(Compiler *c, expr_ty e)
{
    Location loc = LOC(e);
    int n;
    switch (e->kind) {
    case NamedExpr_kind:      return gen_named_expr(c, e);
    case BoolOp_kind:         return gen_boolop(c, e);
    case BinOp_kind:
        TRY(gen_expr(c, e->v.BinOp.left));
        TRY(gen_expr(c, e->v.BinOp.right));
        return emit_binary(c, loc, e->v.BinOp.op, false);
    case UnaryOp_kind:        return gen_unary(c, e);
    case Lambda_kind:         return gen_lambda(c, e);
    case IfExp_kind:          return gen_ifexp(c, e);
    case Dict_kind:           return gen_dict(c, e);
    case Set_kind:            return gen_display(c, e);
    case GeneratorExp_kind:
    case ListComp_kind:
    case SetComp_kind:
    case DictComp_kind:       return gen_comprehension(c, e);
    case Yield_kind:          return gen_yield(c, e);
    case YieldFrom_kind:      return gen_yield_from(c, e);
    case Await_kind:          return gen_await(c, e);
    case Compare_kind:        return gen_compare(c, e);
    case Call_kind:           return gen_call(c, e);
    case JoinedStr_kind:      return gen_joined_str(c, e);
    case FormattedValue_kind: return gen_formatted_value(c, e);
    case Attribute_kind:      return gen_attribute(c, e);
    case Subscript_kind:      return gen_subscript(c, e);
    case Starred_kind:
        if (e->v.Starred.ctx == Store) return ERROR_AT(c, loc, "starred assignment target must be in a list or tuple");
        return ERROR_AT(c, loc, "can't use starred expression here");
    case Slice_kind:
        n = gen_slice(c, e);
        return n < 0 ? -1 : emit_arg(c, loc, BUILD_SLICE, n);
    case List_kind:           return gen_list_or_tuple(c, e, e->v.List.elts, e->v.List.ctx);
    case Tuple_kind:          return gen_list_or_tuple(c, e, e->v.Tuple.elts, e->v.Tuple.ctx);
    default:
        PyErr_Format(PyExc_SystemError, "unknown kind of expression %d", e->kind);
        return -1;
    }
}

int gen_expr(Compiler *c, expr_ty e)
{
    if (e->kind == Constant_kind) return emit_const(c, LOC(e), e->v.Constant.value);
    if (e->kind == Name_kind) return emit_variable(c, LOC(e), e->v.Name.id, e->v.Name.ctx);
    if (Py_EnterRecursiveCall(" during compilation")) return -1;
    int status = gen_expr_inner(c, e);
    Py_LeaveRecursiveCall();
    return status;
}

int gen_exprs(Compiler *c, expr_seq *seq)
{
    for (Py_ssize_t i = 0; i < seq_len(seq); i++) TRY(gen_expr(c, seq_get(seq, i)));
    return 0;
}
