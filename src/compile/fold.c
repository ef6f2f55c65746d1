/* Constant folding in the tree, before symbol tables are made. Operators between constants, tuples of constants, `%` with a
 * tuple (an f-string in disguise), displays that are only looped over or searched, __debug__.
 *
 * The limits keep the code small: integers of 128 bits, strings of 4096 characters, collections of 256 items. An operation that
 * raises is left for run time. */
#include "compile/compile_private.h"

#define TRY(call) do { if ((call) < 0) return -1; } while (0)

enum { MAX_INT_BITS = 128, MAX_COLLECTION_SIZE = 256, MAX_STR_SIZE = 4096, MAX_TOTAL_ITEMS = 1024, MAX_DIGITS = 3 };

typedef struct Fold { Arena *arena; PyObject *filename; int optimize, features; } Fold;

static int fold_expr(Fold *f, expr_ty e);
static int fold_stmt(Fold *f, stmt_ty s);
static int fold_pattern(Fold *f, pattern_ty p);

/* ---- results ----------------------------------------------------------------------------------------------------- */

/* value: STOLEN; NULL with an exception means that the operation failed, and the node stays as it is. */
static int become_constant(Fold *f, expr_ty e, PyObject *value)
{
    if (!value) {
        if (PyErr_ExceptionMatches(PyExc_KeyboardInterrupt)) return -1;
        PyErr_Clear();
        return 0;
    }
    TRY(arena_own(f->arena, value));
    e->kind = Constant_kind;
    e->v.Constant.value = value;
    e->v.Constant.kind = NULL;
    return 0;
}

static bool has_starred(expr_seq *elts)
{
    for (Py_ssize_t i = 0; i < seq_len(elts); i++)
        if (seq_get(elts, i)->kind == Starred_kind) return true;
    return false;
}

/* New tuple of constants; NULL without an exception: not all items are constants. */
static PyObject *constant_tuple(expr_seq *elts)
{
    for (Py_ssize_t i = 0; i < seq_len(elts); i++)
        if (seq_get(elts, i)->kind != Constant_kind) return NULL;
    PyObject *tuple = PyTuple_New(seq_len(elts));
    if (!tuple) return NULL;
    for (Py_ssize_t i = 0; i < seq_len(elts); i++) PyTuple_SET_ITEM(tuple, i, Py_NewRef(seq_get(elts, i)->v.Constant.value));
    return tuple;
}

/* ---- operators ----------------------------------------------------------------------------------------------------- */

static bool is_nonzero_int(PyObject *o) { return PyLong_Check(o) && PyObject_IsTrue(o) == 1; }

/* Items in a tuple or frozenset, nested ones included, do not exceed the limit; what is left of it, or -1. */
static Py_ssize_t items_left(PyObject *o, Py_ssize_t limit)
{
    if (!PyTuple_Check(o)) return limit;
    limit -= PyTuple_GET_SIZE(o);
    for (Py_ssize_t i = 0; limit >= 0 && i < PyTuple_GET_SIZE(o); i++) limit = items_left(PyTuple_GET_ITEM(o, i), limit);
    return limit;
}

static bool repeat_is_small(PyObject *times, PyObject *sequence)
{
    Py_ssize_t size = PyObject_Size(sequence), limit = PyTuple_Check(sequence) ? MAX_COLLECTION_SIZE : MAX_STR_SIZE;
    if (size == 0) return true;
    long n = PyLong_AsLong(times);
    if (n < 0 || n > limit / size) return false;
    return !n || !PyTuple_Check(sequence) || items_left(sequence, MAX_TOTAL_ITEMS / n) >= 0;
}

static bool is_sequence(PyObject *o) { return PyTuple_Check(o) || PyUnicode_Check(o) || PyBytes_Check(o); }

static bool multiply_is_small(PyObject *a, PyObject *b)
{
    if (is_nonzero_int(a) && is_nonzero_int(b)) return _PyLong_NumBits(a) + _PyLong_NumBits(b) <= MAX_INT_BITS;
    if (PyLong_Check(a) && is_sequence(b)) return repeat_is_small(a, b);
    if (PyLong_Check(b) && is_sequence(a)) return repeat_is_small(b, a);
    return true;
}

static bool is_positive(PyObject *o)
{
    int overflow;
    long v = PyLong_AsLongAndOverflow(o, &overflow);
    return overflow > 0 || v > 0;
}

static bool power_is_small(PyObject *a, PyObject *b)
{
    if (!is_nonzero_int(a) || !PyLong_Check(b) || !is_positive(b)) return true;
    size_t times = PyLong_AsSize_t(b);
    return times != (size_t)-1 && _PyLong_NumBits(a) <= MAX_INT_BITS / times;
}

static bool shift_is_small(PyObject *a, PyObject *b)
{
    if (!is_nonzero_int(a) || !is_nonzero_int(b)) return true;
    size_t by = PyLong_AsSize_t(b);
    return by <= MAX_INT_BITS && _PyLong_NumBits(a) <= MAX_INT_BITS - by;
}

static PyObject *fold_operator(operator_ty op, PyObject *a, PyObject *b)
{
    switch (op) {
    case Add:      return PyNumber_Add(a, b);
    case Sub:      return PyNumber_Subtract(a, b);
    case Mult:     return multiply_is_small(a, b) ? PyNumber_Multiply(a, b) : NULL;
    case Div:      return PyNumber_TrueDivide(a, b);
    case FloorDiv: return PyNumber_FloorDivide(a, b);
    case Mod:      return PyUnicode_Check(a) || PyBytes_Check(a) ? NULL : PyNumber_Remainder(a, b);
    case Pow:      return power_is_small(a, b) ? PyNumber_Power(a, b, Py_None) : NULL;
    case LShift:   return shift_is_small(a, b) ? PyNumber_Lshift(a, b) : NULL;
    case RShift:   return PyNumber_Rshift(a, b);
    case BitOr:    return PyNumber_Or(a, b);
    case BitXor:   return PyNumber_Xor(a, b);
    case BitAnd:   return PyNumber_And(a, b);
    default:       return NULL;
    }
}

/* ---- "%s-%r" % (a, b) ------------------------------------------------------------------------------------------------ */

typedef struct Format { PyObject *text; Py_ssize_t at, length; } Format;

/* The next piece of plain text, with %% as %. New str, maybe empty; stops at a % or the end. */
static PyObject *format_literal(Format *fmt)
{
    Py_ssize_t start = fmt->at;
    bool doubled = false;
    while (fmt->at < fmt->length) {
        if (PyUnicode_READ_CHAR(fmt->text, fmt->at) != '%') fmt->at++;
        else if (fmt->at + 1 < fmt->length && PyUnicode_READ_CHAR(fmt->text, fmt->at + 1) == '%') {
            doubled = true;
            fmt->at += 2;
        }
        else break;
    }
    PyObject *piece = PyUnicode_Substring(fmt->text, start, fmt->at);
    if (!piece || !doubled) return piece;
    PyObject *two = PyUnicode_FromString("%%"), *one = PyUnicode_FromString("%");
    Py_XSETREF(piece, two && one ? PyUnicode_Replace(piece, two, one, -1) : NULL);
    Py_XDECREF(two);
    Py_XDECREF(one);
    return piece;
}

static int format_char(Format *fmt) { return fmt->at < fmt->length ? (int)PyUnicode_READ_CHAR(fmt->text, fmt->at++) : -1; }

/* Digits of a width or precision into *value; false when there are too many. */
static bool format_number(Format *fmt, int *c, int *value)
{
    int digits = 0;
    for (; *c >= '0' && *c <= '9'; *c = format_char(fmt)) {
        *value = *value * 10 + (*c - '0');
        if (++digits >= MAX_DIGITS) return false;
    }
    return true;
}

/* One conversion behind its %: a FormattedValue of `arg`, or NULL, without an exception when only % itself can do it. */
static expr_ty format_item(Fold *f, Format *fmt, expr_ty arg)
{
    bool left = false;
    int width = -1, precision = -1, c = format_char(fmt);
    for (; c == '-' || c == '+' || c == ' ' || c == '#' || c == '0'; c = format_char(fmt)) left |= c == '-';
    if (c >= '0' && c <= '9') {
        width = 0;
        if (!format_number(fmt, &c, &width)) return NULL;
    }
    if (c == '.') {
        precision = 0;
        c = format_char(fmt);
        if (!format_number(fmt, &c, &precision)) return NULL;
    }
    if (c != 's' && c != 'r' && c != 'a') return NULL;
    expr_ty spec = NULL;
    char text[2 * MAX_DIGITS + 8], *end = text;
    if (!left && width > 0) *end++ = '>';
    if (width >= 0) end += snprintf(end, MAX_DIGITS + 2, "%d", width);
    if (precision >= 0) end += snprintf(end, MAX_DIGITS + 3, ".%d", precision);
    if (end != text) {
        PyObject *value = PyUnicode_FromStringAndSize(text, end - text);
        if (!value || arena_own(f->arena, value) < 0) return NULL;
        spec = NODE_NEW(expr, f->arena, NO_LOCATION, Constant, value, NULL);
        if (!spec) return NULL;
    }
    return NODE_NEW(expr, f->arena, LOC(arg), FormattedValue, arg, c, spec);
}

/* 1: done, 0: cannot be written as an f-string, -1: exception */
static int fold_format(Fold *f, expr_ty e, PyObject *text, expr_seq *args)
{
    Format fmt = { text, 0, PyUnicode_GET_LENGTH(text) };
    expr_seq *pieces = SEQ_NEW(expr, f->arena, seq_len(args) * 2 + 1);
    if (!pieces) return -1;
    Py_ssize_t n = 0, used = 0;
    for (;;) {
        PyObject *literal = format_literal(&fmt);
        if (!literal) return -1;
        if (PyUnicode_GET_LENGTH(literal) == 0) Py_DECREF(literal);
        else {
            TRY(arena_own(f->arena, literal));
            seq_set(pieces, n, NODE_NEW(expr, f->arena, NO_LOCATION, Constant, literal, NULL));
            if (!seq_get(pieces, n)) return -1;
            n++;
        }
        if (fmt.at >= fmt.length) break;
        if (used >= seq_len(args)) return 0;           /* more conversions than items */
        fmt.at++;
        expr_ty item = format_item(f, &fmt, seq_get(args, used++));
        if (!item) return PyErr_Occurred() ? -1 : 0;
        seq_set(pieces, n++, item);
    }
    if (used < seq_len(args)) return 0;
    pieces->size = n;
    e->kind = JoinedStr_kind;
    e->v.JoinedStr.values = pieces;
    return 1;
}

/* ---- expressions -------------------------------------------------------------------------------------------------------- */

static int fold_exprs(Fold *f, expr_seq *seq)
{
    for (Py_ssize_t i = 0; i < seq_len(seq); i++)
        if (seq_get(seq, i)) TRY(fold_expr(f, seq_get(seq, i)));
    return 0;
}

static int fold_optional(Fold *f, expr_ty e) { return e ? fold_expr(f, e) : 0; }

static int fold_keywords(Fold *f, keyword_seq *seq)
{
    for (Py_ssize_t i = 0; i < seq_len(seq); i++) TRY(fold_expr(f, seq_get(seq, i)->value));
    return 0;
}

static int fold_binop(Fold *f, expr_ty e)
{
    expr_ty left = e->v.BinOp.left, right = e->v.BinOp.right;
    TRY(fold_expr(f, left));
    TRY(fold_expr(f, right));
    if (left->kind != Constant_kind) return 0;
    PyObject *value = left->v.Constant.value;
    if (e->v.BinOp.op == Mod && right->kind == Tuple_kind && PyUnicode_Check(value) && !has_starred(right->v.Tuple.elts))
        return fold_format(f, e, value, right->v.Tuple.elts) < 0 ? -1 : 0;
    if (right->kind != Constant_kind) return 0;
    PyObject *result = fold_operator(e->v.BinOp.op, value, right->v.Constant.value);
    if (!result && !PyErr_Occurred()) return 0;
    return become_constant(f, e, result);
}

static int fold_unaryop(Fold *f, expr_ty e)
{
    expr_ty operand = e->v.UnaryOp.operand;
    unaryop_ty op = e->v.UnaryOp.op;
    TRY(fold_expr(f, operand));
    if (operand->kind == Compare_kind && op == Not && seq_len(operand->v.Compare.ops) == 1) {
        static const uint8_t inverse[] = { [Is] = IsNot, [IsNot] = Is, [In] = NotIn, [NotIn] = In };
        cmpop_ty comparison = seq_get(operand->v.Compare.ops, 0);
        if (comparison < Is) return 0;                 /* the others may have any result */
        seq_set(operand->v.Compare.ops, 0, (cmpop_ty)inverse[comparison]);
        *e = *operand;
        return 0;
    }
    if (operand->kind != Constant_kind) return 0;
    PyObject *value = operand->v.Constant.value, *result;
    switch (op) {
    case Invert: result = PyNumber_Invert(value); break;
    case UAdd:   result = PyNumber_Positive(value); break;
    case USub:   result = PyNumber_Negative(value); break;
    default: {
        int truth = PyObject_IsTrue(value);
        result = truth < 0 ? NULL : PyBool_FromLong(!truth);
    }
    }
    return become_constant(f, e, result);
}

static int fold_tuple(Fold *f, expr_ty e)
{
    if (e->v.Tuple.ctx != Load) return 0;
    PyObject *tuple = constant_tuple(e->v.Tuple.elts);
    return !tuple && !PyErr_Occurred() ? 0 : become_constant(f, e, tuple);
}

static int fold_subscript(Fold *f, expr_ty e)
{
    expr_ty value = e->v.Subscript.value, index = e->v.Subscript.slice;
    TRY(fold_expr(f, value));
    TRY(fold_expr(f, index));
    if (e->v.Subscript.ctx != Load || value->kind != Constant_kind || index->kind != Constant_kind) return 0;
    return become_constant(f, e, PyObject_GetItem(value->v.Constant.value, index->v.Constant.value));
}

/* A display that nobody keeps: [1, 2] may be a tuple, {1, 2} a frozenset. */
static int fold_iterable(Fold *f, expr_ty e)
{
    if (e->kind == List_kind) {
        if (has_starred(e->v.List.elts)) return 0;
        expr_seq *elts = e->v.List.elts;
        expr_context_ty ctx = e->v.List.ctx;
        e->kind = Tuple_kind;
        e->v.Tuple.elts = elts;
        e->v.Tuple.ctx = ctx;
        return fold_tuple(f, e);
    }
    if (e->kind != Set_kind) return 0;
    PyObject *tuple = constant_tuple(e->v.Set.elts);
    if (!tuple && !PyErr_Occurred()) return 0;
    if (tuple) Py_SETREF(tuple, PyFrozenSet_New(tuple));
    return become_constant(f, e, tuple);
}

static int fold_compare(Fold *f, expr_ty e)
{
    TRY(fold_expr(f, e->v.Compare.left));
    TRY(fold_exprs(f, e->v.Compare.comparators));
    Py_ssize_t last = seq_len(e->v.Compare.ops) - 1;
    cmpop_ty op = seq_get(e->v.Compare.ops, last);
    return op == In || op == NotIn ? fold_iterable(f, seq_get(e->v.Compare.comparators, last)) : 0;
}

static int fold_comprehensions(Fold *f, comprehension_seq *seq)
{
    for (Py_ssize_t i = 0; i < seq_len(seq); i++) {
        comprehension_ty c = seq_get(seq, i);
        TRY(fold_expr(f, c->target));
        TRY(fold_expr(f, c->iter));
        TRY(fold_exprs(f, c->ifs));
        TRY(fold_iterable(f, c->iter));
    }
    return 0;
}

static int fold_arg(Fold *f, arg_ty a)
{
    return a && a->annotation && !(f->features & CO_FUTURE_ANNOTATIONS) ? fold_expr(f, a->annotation) : 0;
}

static int fold_args(Fold *f, arg_seq *seq)
{
    for (Py_ssize_t i = 0; i < seq_len(seq); i++) TRY(fold_arg(f, seq_get(seq, i)));
    return 0;
}

static int fold_arguments(Fold *f, arguments_ty a)
{
    TRY(fold_args(f, a->posonlyargs));
    TRY(fold_args(f, a->args));
    TRY(fold_arg(f, a->vararg));
    TRY(fold_args(f, a->kwonlyargs));
    TRY(fold_exprs(f, a->kw_defaults));
    TRY(fold_arg(f, a->kwarg));
    return fold_exprs(f, a->defaults);
}

static int fold_expr_inner(Fold *f, expr_ty e)
{
    switch (e->kind) {
    case NamedExpr_kind:
        return fold_expr(f, e->v.NamedExpr.value);
    case BoolOp_kind:
        return fold_exprs(f, e->v.BoolOp.values);
    case BinOp_kind:
        return fold_binop(f, e);
    case UnaryOp_kind:
        return fold_unaryop(f, e);
    case Lambda_kind:
        TRY(fold_arguments(f, e->v.Lambda.args));
        return fold_expr(f, e->v.Lambda.body);
    case IfExp_kind:
        TRY(fold_expr(f, e->v.IfExp.test));
        TRY(fold_expr(f, e->v.IfExp.body));
        return fold_expr(f, e->v.IfExp.orelse);
    case Dict_kind:
        TRY(fold_exprs(f, e->v.Dict.keys));
        return fold_exprs(f, e->v.Dict.values);
    case Set_kind:
        return fold_exprs(f, e->v.Set.elts);
    case ListComp_kind:
        TRY(fold_expr(f, e->v.ListComp.elt));
        return fold_comprehensions(f, e->v.ListComp.generators);
    case SetComp_kind:
        TRY(fold_expr(f, e->v.SetComp.elt));
        return fold_comprehensions(f, e->v.SetComp.generators);
    case DictComp_kind:
        TRY(fold_expr(f, e->v.DictComp.key));
        TRY(fold_expr(f, e->v.DictComp.value));
        return fold_comprehensions(f, e->v.DictComp.generators);
    case GeneratorExp_kind:
        TRY(fold_expr(f, e->v.GeneratorExp.elt));
        return fold_comprehensions(f, e->v.GeneratorExp.generators);
    case Await_kind:
        return fold_expr(f, e->v.Await.value);
    case Yield_kind:
        return fold_optional(f, e->v.Yield.value);
    case YieldFrom_kind:
        return fold_expr(f, e->v.YieldFrom.value);
    case Compare_kind:
        return fold_compare(f, e);
    case Call_kind:
        TRY(fold_expr(f, e->v.Call.func));
        TRY(fold_exprs(f, e->v.Call.args));
        return fold_keywords(f, e->v.Call.keywords);
    case FormattedValue_kind:
        TRY(fold_expr(f, e->v.FormattedValue.value));
        return fold_optional(f, e->v.FormattedValue.format_spec);
    case JoinedStr_kind:
        return fold_exprs(f, e->v.JoinedStr.values);
    case Attribute_kind:
        return fold_expr(f, e->v.Attribute.value);
    case Subscript_kind:
        return fold_subscript(f, e);
    case Starred_kind:
        return fold_expr(f, e->v.Starred.value);
    case Slice_kind:
        TRY(fold_optional(f, e->v.Slice.lower));
        TRY(fold_optional(f, e->v.Slice.upper));
        return fold_optional(f, e->v.Slice.step);
    case List_kind:
        return fold_exprs(f, e->v.List.elts);
    case Tuple_kind:
        TRY(fold_exprs(f, e->v.Tuple.elts));
        return fold_tuple(f, e);
    default:
        return 0;
    }
}

static int fold_expr(Fold *f, expr_ty e)
{
    if (e->kind == Constant_kind) return 0;
    if (e->kind == Name_kind)
        return e->v.Name.ctx == Load && e->v.Name.id == STR(__debug__) ? become_constant(f, e, PyBool_FromLong(!f->optimize)) : 0;
    if (Py_EnterRecursiveCall(" during compilation")) return -1;
    int status = fold_expr_inner(f, e);
    Py_LeaveRecursiveCall();
    return status;
}

/* ---- patterns ----------------------------------------------------------------------------------------------------- */

static int fold_patterns(Fold *f, pattern_seq *seq)
{
    for (Py_ssize_t i = 0; i < seq_len(seq); i++) TRY(fold_pattern(f, seq_get(seq, i)));
    return 0;
}

static int fold_pattern_inner(Fold *f, pattern_ty p)
{
    switch (p->kind) {
    case MatchValue_kind:
        return fold_expr(f, p->v.MatchValue.value);
    case MatchSequence_kind:
        return fold_patterns(f, p->v.MatchSequence.patterns);
    case MatchMapping_kind:
        TRY(fold_exprs(f, p->v.MatchMapping.keys));
        return fold_patterns(f, p->v.MatchMapping.patterns);
    case MatchClass_kind:
        TRY(fold_expr(f, p->v.MatchClass.cls));
        TRY(fold_patterns(f, p->v.MatchClass.patterns));
        return fold_patterns(f, p->v.MatchClass.kwd_patterns);
    case MatchAs_kind:
        return p->v.MatchAs.pattern ? fold_pattern(f, p->v.MatchAs.pattern) : 0;
    case MatchOr_kind:
        return fold_patterns(f, p->v.MatchOr.patterns);
    default:
        return 0;
    }
}

static int fold_pattern(Fold *f, pattern_ty p)
{
    if (Py_EnterRecursiveCall(" during compilation")) return -1;
    int status = fold_pattern_inner(f, p);
    Py_LeaveRecursiveCall();
    return status;
}

/* ---- statements ----------------------------------------------------------------------------------------------------- */

static int fold_stmts(Fold *f, stmt_seq *seq)
{
    for (Py_ssize_t i = 0; i < seq_len(seq); i++) TRY(fold_stmt(f, seq_get(seq, i)));
    return 0;
}

/* The body of a module, class or function. What only folding made a string is not a docstring. */
static int fold_body(Fold *f, stmt_seq *body)
{
    bool documented = body && tree_docstring(body);
    TRY(fold_stmts(f, body));
    if (documented || !body || !tree_docstring(body)) return 0;
    stmt_ty first = seq_get(body, 0);
    expr_seq *values = SEQ_NEW(expr, f->arena, 1);
    if (!values) return -1;
    seq_set(values, 0, first->v.Expr.value);
    first->v.Expr.value = NODE_NEW(expr, f->arena, LOC(first), JoinedStr, values);
    return first->v.Expr.value ? 0 : -1;
}

static int fold_type_params(Fold *f, type_param_seq *seq)
{
    for (Py_ssize_t i = 0; i < seq_len(seq); i++) {
        type_param_ty p = seq_get(seq, i);
        switch (p->kind) {
        case TypeVar_kind:
            TRY(fold_optional(f, p->v.TypeVar.bound));
            TRY(fold_optional(f, p->v.TypeVar.default_value));
            break;
        case ParamSpec_kind:
            TRY(fold_optional(f, p->v.ParamSpec.default_value));
            break;
        case TypeVarTuple_kind:
            TRY(fold_optional(f, p->v.TypeVarTuple.default_value));
            break;
        default:
            break;
        }
    }
    return 0;
}

static int fold_function(Fold *f, stmt_ty s)
{
    TRY(fold_type_params(f, s->v.FunctionDef.type_params));
    TRY(fold_arguments(f, s->v.FunctionDef.args));
    TRY(fold_body(f, s->v.FunctionDef.body));
    TRY(fold_exprs(f, s->v.FunctionDef.decorator_list));
    return f->features & CO_FUTURE_ANNOTATIONS ? 0 : fold_optional(f, s->v.FunctionDef.returns);
}

static int fold_class(Fold *f, stmt_ty s)
{
    TRY(fold_type_params(f, s->v.ClassDef.type_params));
    TRY(fold_exprs(f, s->v.ClassDef.bases));
    TRY(fold_keywords(f, s->v.ClassDef.keywords));
    TRY(fold_body(f, s->v.ClassDef.body));
    return fold_exprs(f, s->v.ClassDef.decorator_list);
}

static int fold_try(Fold *f, stmt_seq *body, excepthandler_seq *handlers, stmt_seq *orelse, stmt_seq *finalbody)
{
    TRY(fold_stmts(f, body));
    for (Py_ssize_t i = 0; i < seq_len(handlers); i++) {
        TRY(fold_optional(f, seq_get(handlers, i)->v.ExceptHandler.type));
        TRY(fold_stmts(f, seq_get(handlers, i)->v.ExceptHandler.body));
    }
    TRY(fold_stmts(f, orelse));
    return fold_stmts(f, finalbody);
}

static int fold_with(Fold *f, withitem_seq *items, stmt_seq *body)
{
    for (Py_ssize_t i = 0; i < seq_len(items); i++) {
        TRY(fold_expr(f, seq_get(items, i)->context_expr));
        TRY(fold_optional(f, seq_get(items, i)->optional_vars));
    }
    return fold_stmts(f, body);
}

static int fold_match(Fold *f, stmt_ty s)
{
    TRY(fold_expr(f, s->v.Match.subject));
    for (Py_ssize_t i = 0; i < seq_len(s->v.Match.cases); i++) {
        match_case_ty c = seq_get(s->v.Match.cases, i);
        TRY(fold_pattern(f, c->pattern));
        TRY(fold_optional(f, c->guard));
        TRY(fold_stmts(f, c->body));
    }
    return 0;
}

static int fold_stmt_inner(Fold *f, stmt_ty s)
{
    switch (s->kind) {
    case FunctionDef_kind:
    case AsyncFunctionDef_kind:
        return fold_function(f, s);
    case ClassDef_kind:
        return fold_class(f, s);
    case Return_kind:
        return fold_optional(f, s->v.Return.value);
    case Delete_kind:
        return fold_exprs(f, s->v.Delete.targets);
    case Assign_kind:
        TRY(fold_exprs(f, s->v.Assign.targets));
        return fold_expr(f, s->v.Assign.value);
    case AugAssign_kind:
        TRY(fold_expr(f, s->v.AugAssign.target));
        return fold_expr(f, s->v.AugAssign.value);
    case AnnAssign_kind:
        TRY(fold_expr(f, s->v.AnnAssign.target));
        if (!(f->features & CO_FUTURE_ANNOTATIONS)) TRY(fold_expr(f, s->v.AnnAssign.annotation));
        return fold_optional(f, s->v.AnnAssign.value);
    case TypeAlias_kind:
        TRY(fold_expr(f, s->v.TypeAlias.name));
        TRY(fold_type_params(f, s->v.TypeAlias.type_params));
        return fold_expr(f, s->v.TypeAlias.value);
    case For_kind:
    case AsyncFor_kind:
        TRY(fold_expr(f, s->v.For.target));
        TRY(fold_expr(f, s->v.For.iter));
        TRY(fold_stmts(f, s->v.For.body));
        TRY(fold_stmts(f, s->v.For.orelse));
        return s->kind == For_kind ? fold_iterable(f, s->v.For.iter) : 0;
    case While_kind:
        TRY(fold_expr(f, s->v.While.test));
        TRY(fold_stmts(f, s->v.While.body));
        return fold_stmts(f, s->v.While.orelse);
    case If_kind:
        TRY(fold_expr(f, s->v.If.test));
        TRY(fold_stmts(f, s->v.If.body));
        return fold_stmts(f, s->v.If.orelse);
    case With_kind:
    case AsyncWith_kind:
        return fold_with(f, s->v.With.items, s->v.With.body);
    case Raise_kind:
        TRY(fold_optional(f, s->v.Raise.exc));
        return fold_optional(f, s->v.Raise.cause);
    case Try_kind:
        return fold_try(f, s->v.Try.body, s->v.Try.handlers, s->v.Try.orelse, s->v.Try.finalbody);
    case TryStar_kind:
        return fold_try(f, s->v.TryStar.body, s->v.TryStar.handlers, s->v.TryStar.orelse, s->v.TryStar.finalbody);
    case Assert_kind:
        TRY(fold_expr(f, s->v.Assert.test));
        return fold_optional(f, s->v.Assert.msg);
    case Expr_kind:
        return fold_expr(f, s->v.Expr.value);
    case Match_kind:
        return fold_match(f, s);
    default:
        return 0;
    }
}

static int fold_stmt(Fold *f, stmt_ty s)
{
    if (Py_EnterRecursiveCall(" during compilation")) return -1;
    int status = fold_stmt_inner(f, s);
    Py_LeaveRecursiveCall();
    return status;
}

int compile_fold(mod_ty tree, PyObject *filename, int optimize, int future_features, Arena *arena)
{
    Fold f = { arena, filename, optimize, future_features };
    switch (tree->kind) {
    case Module_kind:      return fold_body(&f, tree->v.Module.body);
    case Interactive_kind: return fold_stmts(&f, tree->v.Interactive.body);
    case Expression_kind:  return fold_expr(&f, tree->v.Expression.body);
    default:               return 0;
    }
}
