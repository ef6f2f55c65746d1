/* Expressions back to text, as annotations under `from __future__ import annotations` keep them: one line, the fewest brackets. */
#include "syntax/syntax.h"

/* How tightly an expression binds; an argument position says what it can hold without brackets. */
enum { P_TUPLE, P_TEST, P_OR, P_AND, P_NOT, P_CMP, P_BOR, P_BXOR, P_BAND, P_SHIFT, P_ARITH, P_TERM, P_FACTOR, P_POWER, P_AWAIT, P_ATOM,
       P_EXPR = P_BOR };

typedef struct Writer {
    PyObject *parts;                                       /* list of str, joined at the end */
    bool failed;
} Writer;

static void put_expr(Writer *w, expr_ty e, int level);

static void put_object(Writer *w, PyObject *steal)
{
    if (!steal || w->failed || PyList_Append(w->parts, steal) < 0) w->failed = true;
    Py_XDECREF(steal);
}
static void put(Writer *w, const char *text) { put_object(w, PyUnicode_FromString(text)); }
static void put_name(Writer *w, PyObject *name) { put_object(w, Py_NewRef(name)); }
static void put_if(Writer *w, bool condition, const char *text) { if (condition) put(w, text); }

static PyObject *replace_in(PyObject *text, const char *old, const char *new)
{
    PyObject *a = PyUnicode_FromString(old), *b = PyUnicode_FromString(new);
    PyObject *result = a && b && text ? PyUnicode_Replace(text, a, b, -1) : NULL;
    Py_XDECREF(a);
    Py_XDECREF(b);
    Py_XDECREF(text);
    return result;
}

/* ---- constants ---- */

static void put_constant(Writer *w, PyObject *value, PyObject *kind)
{
    if (value == Py_Ellipsis) {
        put(w, "...");
        return;
    }
    if (kind) put_name(w, kind);
    if (PyTuple_CheckExact(value)) {                       /* made by the optimiser: "1," needs its comma */
        put(w, "(");
        for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(value); i++) {
            put_if(w, i > 0, ", ");
            put_constant(w, PyTuple_GET_ITEM(value, i), NULL);
        }
        put(w, PyTuple_GET_SIZE(value) == 1 ? ",)" : ")");
        return;
    }
    PyObject *repr = PyObject_Repr(value);
    if (repr && (PyFloat_CheckExact(value) || PyComplex_CheckExact(value))) repr = replace_in(repr, "inf", "1e309");
    put_object(w, repr);
}

/* ---- f-strings ---- */

static PyObject *collect(void (*fill)(Writer *, const void *), const void *what)
{
    Writer w = { PyList_New(0), false };
    PyObject *result = NULL, *empty = PyUnicode_FromString("");
    if (w.parts) fill(&w, what);
    if (w.parts && !w.failed && empty) result = PyUnicode_Join(empty, w.parts);
    Py_XDECREF(w.parts);
    Py_XDECREF(empty);
    return result;
}

static void put_fstring_part(Writer *w, expr_ty e, bool spec);

static void fill_test(Writer *w, const void *e) { put_expr(w, (expr_ty)e, P_TEST + 1); }

static void put_formatted_value(Writer *w, expr_ty e)
{
    PyObject *text = collect(fill_test, e->v.FormattedValue.value);
    if (!text) {
        w->failed = true;
        return;
    }
    bool brace = PyUnicode_GET_LENGTH(text) && PyUnicode_READ_CHAR(text, 0) == '{';
    put(w, brace ? "{ " : "{");
    put_object(w, text);
    if (e->v.FormattedValue.conversion > 0) {
        char conversion[3] = { '!', (char)e->v.FormattedValue.conversion, 0 };
        put(w, conversion);
    }
    if (e->v.FormattedValue.format_spec) {
        put(w, ":");
        put_fstring_part(w, e->v.FormattedValue.format_spec, true);
    }
    put(w, "}");
}

static void put_fstring_part(Writer *w, expr_ty e, bool spec)
{
    switch (e->kind) {
    case Constant_kind:
        put_object(w, replace_in(replace_in(Py_NewRef(e->v.Constant.value), "{", "{{"), "}", "}}"));
        return;
    case JoinedStr_kind:
        for (Py_ssize_t i = 0; i < seq_len(e->v.JoinedStr.values); i++) put_fstring_part(w, seq_get(e->v.JoinedStr.values, i), spec);
        return;
    case FormattedValue_kind: put_formatted_value(w, e); return;
    default:
        PyErr_SetString(PyExc_SystemError, "unknown expression kind inside f-string");
        w->failed = true;
    }
}

static void fill_fstring(Writer *w, const void *e) { put_fstring_part(w, (expr_ty)e, false); }

static void put_fstring(Writer *w, expr_ty e)
{
    PyObject *body = collect(fill_fstring, e), *repr = body ? PyObject_Repr(body) : NULL;
    Py_XDECREF(body);
    put(w, "f");
    put_object(w, repr);
}

/* ---- operators ---- */

static const char *const operator_texts[] = {
    [Add] = " + ", [Sub] = " - ", [Mult] = " * ", [MatMult] = " @ ", [Div] = " / ", [Mod] = " % ", [Pow] = " ** ", [LShift] = " << ",
    [RShift] = " >> ", [BitOr] = " | ", [BitXor] = " ^ ", [BitAnd] = " & ", [FloorDiv] = " // ",
};
static const uint8_t operator_levels[] = {
    [Add] = P_ARITH, [Sub] = P_ARITH, [Mult] = P_TERM, [MatMult] = P_TERM, [Div] = P_TERM, [Mod] = P_TERM, [Pow] = P_POWER,
    [LShift] = P_SHIFT, [RShift] = P_SHIFT, [BitOr] = P_BOR, [BitXor] = P_BXOR, [BitAnd] = P_BAND, [FloorDiv] = P_TERM,
};
static const char *const comparison_texts[] = {
    [Eq] = " == ", [NotEq] = " != ", [Lt] = " < ", [LtE] = " <= ", [Gt] = " > ", [GtE] = " >= ", [Is] = " is ", [IsNot] = " is not ",
    [In] = " in ", [NotIn] = " not in ",
};

static void put_list(Writer *w, expr_seq *seq, int level)
{
    for (Py_ssize_t i = 0; i < seq_len(seq); i++) {
        put_if(w, i > 0, ", ");
        put_expr(w, seq_get(seq, i), level);
    }
}

static void put_parameter(Writer *w, bool *first, const char *star, arg_ty arg, expr_ty value)
{
    put_if(w, !*first, ", ");
    *first = false;
    put(w, star);
    if (!arg) return;
    put_name(w, arg->arg);
    if (arg->annotation) {
        put(w, ": ");
        put_expr(w, arg->annotation, P_TEST);
    }
    if (value) {
        put(w, "=");
        put_expr(w, value, P_TEST);
    }
}

static void put_parameters(Writer *w, arguments_ty args)
{
    bool first = true;
    Py_ssize_t posonly = seq_len(args->posonlyargs), positional = posonly + seq_len(args->args);
    Py_ssize_t plain = positional - seq_len(args->defaults);
    for (Py_ssize_t i = 0; i < positional; i++) {
        arg_ty arg = i < posonly ? seq_get(args->posonlyargs, i) : seq_get(args->args, i - posonly);
        put_parameter(w, &first, "", arg, i >= plain ? seq_get(args->defaults, i - plain) : NULL);
        put_if(w, posonly && i + 1 == posonly, ", /");
    }
    if (args->vararg || seq_len(args->kwonlyargs)) put_parameter(w, &first, "*", args->vararg, NULL);
    for (Py_ssize_t i = 0; i < seq_len(args->kwonlyargs); i++)
        put_parameter(w, &first, "", seq_get(args->kwonlyargs, i), seq_get(args->kw_defaults, i));
    if (args->kwarg) put_parameter(w, &first, "**", args->kwarg, NULL);
}

static void put_comprehension(Writer *w, expr_ty key, expr_ty value, comprehension_seq *generators, const char *open, const char *close)
{
    put(w, open);
    put_expr(w, key, P_TEST);
    if (value) {
        put(w, ": ");
        put_expr(w, value, P_TEST);
    }
    for (Py_ssize_t i = 0; i < seq_len(generators); i++) {
        comprehension_ty c = seq_get(generators, i);
        put(w, c->is_async ? " async for " : " for ");
        put_expr(w, c->target, P_TUPLE);
        put(w, " in ");
        put_expr(w, c->iter, P_TEST + 1);
        for (Py_ssize_t k = 0; k < seq_len(c->ifs); k++) {
            put(w, " if ");
            put_expr(w, seq_get(c->ifs, k), P_TEST + 1);
        }
    }
    put(w, close);
}

static void put_call(Writer *w, expr_ty e)
{
    expr_seq *args = e->v.Call.args;
    keyword_seq *keywords = e->v.Call.keywords;
    put_expr(w, e->v.Call.func, P_ATOM);
    if (seq_len(args) == 1 && !seq_len(keywords) && seq_get(args, 0)->kind == GeneratorExp_kind) {
        put_expr(w, seq_get(args, 0), P_TEST);             /* its brackets are the call's */
        return;
    }
    put(w, "(");
    put_list(w, args, P_TEST);
    for (Py_ssize_t i = 0; i < seq_len(keywords); i++) {
        keyword_ty keyword = seq_get(keywords, i);
        put_if(w, i > 0 || seq_len(args), ", ");
        if (keyword->arg) put_name(w, keyword->arg);
        put(w, keyword->arg ? "=" : "**");
        put_expr(w, keyword->value, P_TEST);
    }
    put(w, ")");
}

static void put_dict(Writer *w, expr_ty e)
{
    put(w, "{");
    for (Py_ssize_t i = 0; i < seq_len(e->v.Dict.values); i++) {
        expr_ty key = seq_get(e->v.Dict.keys, i), value = seq_get(e->v.Dict.values, i);
        put_if(w, i > 0, ", ");
        if (key) put_expr(w, key, P_TEST);
        put(w, key ? ": " : "**");
        put_expr(w, value, key ? P_TEST : P_EXPR);
    }
    put(w, "}");
}

static void put_tuple(Writer *w, expr_ty e, int level)
{
    expr_seq *elts = e->v.Tuple.elts;
    if (!seq_len(elts)) {
        put(w, "()");
        return;
    }
    put_if(w, level > P_TUPLE, "(");
    put_list(w, elts, P_TEST);
    put_if(w, elts->size == 1, ",");
    put_if(w, level > P_TUPLE, ")");
}

/* Whether ".name" behind a constant would be read as part of a number. */
static bool is_integer(expr_ty e) { return e->kind == Constant_kind && PyLong_CheckExact(e->v.Constant.value); }

static void put_bracketed(Writer *w, expr_ty e, int level)
{
    switch (e->kind) {
    case BoolOp_kind: {
        int own = e->v.BoolOp.op == And ? P_AND : P_OR;
        put_if(w, level > own, "(");
        for (Py_ssize_t i = 0; i < seq_len(e->v.BoolOp.values); i++) {
            put_if(w, i > 0, own == P_AND ? " and " : " or ");
            put_expr(w, seq_get(e->v.BoolOp.values, i), own + 1);
        }
        put_if(w, level > own, ")");
        return;
    }
    case BinOp_kind: {
        int own = operator_levels[e->v.BinOp.op];
        bool right = e->v.BinOp.op == Pow;
        put_if(w, level > own, "(");
        put_expr(w, e->v.BinOp.left, own + right);
        put(w, operator_texts[e->v.BinOp.op]);
        put_expr(w, e->v.BinOp.right, own + !right);
        put_if(w, level > own, ")");
        return;
    }
    case UnaryOp_kind: {
        unaryop_ty op = e->v.UnaryOp.op;
        int own = op == Not ? P_NOT : P_FACTOR;
        put_if(w, level > own, "(");
        put(w, op == Not ? "not " : op == USub ? "-" : op == UAdd ? "+" : "~");
        put_expr(w, e->v.UnaryOp.operand, own);
        put_if(w, level > own, ")");
        return;
    }
    case Lambda_kind:
        put_if(w, level > P_TEST, "(");
        put(w, seq_len(e->v.Lambda.args->args) + seq_len(e->v.Lambda.args->posonlyargs) ? "lambda " : "lambda");
        put_parameters(w, e->v.Lambda.args);
        put(w, ": ");
        put_expr(w, e->v.Lambda.body, P_TEST);
        put_if(w, level > P_TEST, ")");
        return;
    case IfExp_kind:
        put_if(w, level > P_TEST, "(");
        put_expr(w, e->v.IfExp.body, P_TEST + 1);
        put(w, " if ");
        put_expr(w, e->v.IfExp.test, P_TEST + 1);
        put(w, " else ");
        put_expr(w, e->v.IfExp.orelse, P_TEST);
        put_if(w, level > P_TEST, ")");
        return;
    case Compare_kind:
        put_if(w, level > P_CMP, "(");
        put_expr(w, e->v.Compare.left, P_CMP + 1);
        for (Py_ssize_t i = 0; i < seq_len(e->v.Compare.comparators); i++) {
            put(w, comparison_texts[seq_get(e->v.Compare.ops, i)]);
            put_expr(w, seq_get(e->v.Compare.comparators, i), P_CMP + 1);
        }
        put_if(w, level > P_CMP, ")");
        return;
    case Await_kind:
        put_if(w, level > P_AWAIT, "(");
        put(w, "await ");
        put_expr(w, e->v.Await.value, P_ATOM);
        put_if(w, level > P_AWAIT, ")");
        return;
    case NamedExpr_kind:
        put_if(w, level > P_TUPLE, "(");
        put_expr(w, e->v.NamedExpr.target, P_ATOM);
        put(w, " := ");
        put_expr(w, e->v.NamedExpr.value, P_ATOM);
        put_if(w, level > P_TUPLE, ")");
        return;
    default: return;
    }
}

static void put_expr_kind(Writer *w, expr_ty e, int level)
{
    switch (e->kind) {
    case BoolOp_kind: case BinOp_kind: case UnaryOp_kind: case Lambda_kind: case IfExp_kind: case Compare_kind: case Await_kind:
    case NamedExpr_kind: put_bracketed(w, e, level); return;
    case Dict_kind: put_dict(w, e); return;
    case Set_kind:
        put(w, "{");
        put_list(w, e->v.Set.elts, P_TEST);
        put(w, "}");
        return;
    case GeneratorExp_kind: put_comprehension(w, e->v.GeneratorExp.elt, NULL, e->v.GeneratorExp.generators, "(", ")"); return;
    case ListComp_kind: put_comprehension(w, e->v.ListComp.elt, NULL, e->v.ListComp.generators, "[", "]"); return;
    case SetComp_kind: put_comprehension(w, e->v.SetComp.elt, NULL, e->v.SetComp.generators, "{", "}"); return;
    case DictComp_kind: put_comprehension(w, e->v.DictComp.key, e->v.DictComp.value, e->v.DictComp.generators, "{", "}"); return;
    case Yield_kind:
        put(w, e->v.Yield.value ? "(yield " : "(yield");
        if (e->v.Yield.value) put_expr(w, e->v.Yield.value, P_TEST);
        put(w, ")");
        return;
    case YieldFrom_kind:
        put(w, "(yield from ");
        put_expr(w, e->v.YieldFrom.value, P_TEST);
        put(w, ")");
        return;
    case Call_kind: put_call(w, e); return;
    case Constant_kind: put_constant(w, e->v.Constant.value, e->v.Constant.kind); return;
    case JoinedStr_kind: case FormattedValue_kind: put_fstring(w, e); return;
    case Attribute_kind:
        put_expr(w, e->v.Attribute.value, P_ATOM);
        put(w, is_integer(e->v.Attribute.value) ? " ." : ".");
        put_name(w, e->v.Attribute.attr);
        return;
    case Starred_kind:
        put(w, "*");
        put_expr(w, e->v.Starred.value, P_EXPR);
        return;
    case Name_kind: put_name(w, e->v.Name.id); return;
    case List_kind:
        put(w, "[");
        put_list(w, e->v.List.elts, P_TEST);
        put(w, "]");
        return;
    case Tuple_kind: put_tuple(w, e, level); return;
    case Subscript_kind:
        put_expr(w, e->v.Subscript.value, P_ATOM);
        put(w, "[");
        put_expr(w, e->v.Subscript.slice, P_TUPLE);
        put(w, "]");
        return;
    case Slice_kind:
        if (e->v.Slice.lower) put_expr(w, e->v.Slice.lower, P_TEST);
        put(w, ":");
        if (e->v.Slice.upper) put_expr(w, e->v.Slice.upper, P_TEST);
        if (e->v.Slice.step) {
            put(w, ":");
            put_expr(w, e->v.Slice.step, P_TEST);
        }
        return;
    default:
        PyErr_SetString(PyExc_SystemError, "unknown expression kind");
        w->failed = true;
    }
}

static void put_expr(Writer *w, expr_ty e, int level)
{
    if (w->failed) return;
    if (Py_EnterRecursiveCall(" during compilation")) {
        w->failed = true;
        return;
    }
    put_expr_kind(w, e, level);
    Py_LeaveRecursiveCall();
}

static void fill_top(Writer *w, const void *e) { put_expr(w, (expr_ty)e, P_TEST); }

PyObject *tree_unparse_expr(expr_ty e) { return collect(fill_top, e); }
