/* The checks that a tree made by hand must pass before it is compiled: what the grammar guarantees for parsed ones. Each function
 * returns true, or false with an exception set. */
#include "syntax/ast_private.h"

static bool check_expr(expr_ty e, expr_context_ty ctx);
static bool check_pattern(pattern_ty pattern, bool star_allowed);
static bool check_stmts(stmt_seq *seq);

static COLD bool invalid(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    PyErr_FormatV(PyExc_ValueError, format, args);
    va_end(args);
    return false;
}

static bool check_span(Span s)
{
    if (s.lineno > s.end_lineno) return invalid("AST node line range (%d, %d) is not valid", s.lineno, s.end_lineno);
    if ((s.lineno < 0 && s.end_lineno != s.lineno) || (s.col_offset < 0 && s.col_offset != s.end_col_offset))
        return invalid("AST node column range (%d, %d) for line range (%d, %d) is not valid", s.col_offset, s.end_col_offset,
                       s.lineno, s.end_lineno);
    if (s.lineno == s.end_lineno && s.col_offset > s.end_col_offset)
        return invalid("line %d, column %d-%d is not a valid range", s.lineno, s.col_offset, s.end_col_offset);
    return true;
}

static bool check_name(PyObject *name)
{
    static const char *const forbidden[] = { "None", "True", "False" };
    for (size_t i = 0; i < ARRAY_LENGTH(forbidden); i++)
        if (PyUnicode_EqualToUTF8(name, forbidden[i])) return invalid("identifier field can't represent '%s' constant", forbidden[i]);
    return true;
}

static bool check_not_empty(const void *seq, const char *what, const char *owner)
{
    return seq_len((const any_seq *)seq) ? true : invalid("empty %s on %s", what, owner);
}

static bool check_exprs(expr_seq *seq, expr_context_ty ctx, bool null_allowed)
{
    for (Py_ssize_t i = 0; i < seq_len(seq); i++) {
        expr_ty e = seq_get(seq, i);
        if (e ? !check_expr(e, ctx) : !null_allowed)
            return e ? false : invalid("None disallowed in expression list");
    }
    return true;
}

static bool check_optional(expr_ty e) { return !e || check_expr(e, Load); }

/* ---- constants ---- */

static bool check_constant(PyObject *value)
{
    if (value == Py_None || value == Py_Ellipsis || PyBool_Check(value) || PyLong_CheckExact(value) || PyFloat_CheckExact(value) ||
        PyComplex_CheckExact(value) || PyUnicode_CheckExact(value) || PyBytes_CheckExact(value))
        return true;
    if (PyTuple_CheckExact(value) || PyFrozenSet_CheckExact(value)) {
        if (Py_EnterRecursiveCall(" during compilation")) return false;
        PyObject *it = PyObject_GetIter(value), *item;
        bool good = it != NULL;
        while (good && (item = PyIter_Next(it))) {
            good = check_constant(item);
            Py_DECREF(item);
        }
        Py_XDECREF(it);
        Py_LeaveRecursiveCall();
        return good && !PyErr_Occurred();
    }
    PyErr_Format(PyExc_TypeError, "got an invalid type in Constant: %s", _PyType_Name(Py_TYPE(value)));
    return false;
}

/* ---- parts of expressions ---- */

static bool check_keywords(keyword_seq *seq)
{
    for (Py_ssize_t i = 0; i < seq_len(seq); i++) if (!check_expr(seq_get(seq, i)->value, Load)) return false;
    return true;
}

static bool check_comprehension(comprehension_seq *generators)
{
    if (!seq_len(generators)) return invalid("comprehension with no generators");
    for (Py_ssize_t i = 0; i < generators->size; i++) {
        comprehension_ty c = generators->items[i];
        if (!check_expr(c->target, Store) || !check_expr(c->iter, Load) || !check_exprs(c->ifs, Load, false)) return false;
    }
    return true;
}

static bool check_args(arg_seq *seq)
{
    for (Py_ssize_t i = 0; i < seq_len(seq); i++) {
        arg_ty arg = seq_get(seq, i);
        if (!check_span(SPAN_OF(arg)) || !check_optional(arg->annotation)) return false;
    }
    return true;
}

static bool check_arguments(arguments_ty args)
{
    if (!check_args(args->posonlyargs) || !check_args(args->args) || (args->vararg && !check_optional(args->vararg->annotation)) ||
        !check_args(args->kwonlyargs) || (args->kwarg && !check_optional(args->kwarg->annotation)))
        return false;
    if (seq_len(args->defaults) > seq_len(args->posonlyargs) + seq_len(args->args))
        return invalid("more positional defaults than args on arguments");
    if (seq_len(args->kw_defaults) != seq_len(args->kwonlyargs))
        return invalid("length of kwonlyargs is not the same as kw_defaults on arguments");
    return check_exprs(args->defaults, Load, false) && check_exprs(args->kw_defaults, Load, true);
}

/* ---- expressions ---- */

static const char *context_name(expr_context_ty ctx)
{
    return ctx == Load ? "Load" : ctx == Store ? "Store" : "Del";
}

static bool check_context(expr_ty e, expr_context_ty ctx)
{
    expr_context_ty actual;
    switch (e->kind) {
    case Attribute_kind: actual = e->v.Attribute.ctx; break;
    case Subscript_kind: actual = e->v.Subscript.ctx; break;
    case Starred_kind: actual = e->v.Starred.ctx; break;
    case Name_kind:
        if (!check_name(e->v.Name.id)) return false;
        actual = e->v.Name.ctx;
        break;
    case List_kind: actual = e->v.List.ctx; break;
    case Tuple_kind: actual = e->v.Tuple.ctx; break;
    default:
        return ctx == Load ? true : invalid("expression which can't be assigned to in %s context", context_name(ctx));
    }
    return actual == ctx ? true : invalid("expression must have %s context but has %s instead", context_name(ctx), context_name(actual));
}

static bool check_expr_fields(expr_ty e, expr_context_ty ctx)
{
    switch (e->kind) {
    case BoolOp_kind:
        if (seq_len(e->v.BoolOp.values) < 2) return invalid("BoolOp with less than 2 values");
        return check_exprs(e->v.BoolOp.values, Load, false);
    case BinOp_kind: return check_expr(e->v.BinOp.left, Load) && check_expr(e->v.BinOp.right, Load);
    case UnaryOp_kind: return check_expr(e->v.UnaryOp.operand, Load);
    case Lambda_kind: return check_arguments(e->v.Lambda.args) && check_expr(e->v.Lambda.body, Load);
    case IfExp_kind:
        return check_expr(e->v.IfExp.test, Load) && check_expr(e->v.IfExp.body, Load) && check_expr(e->v.IfExp.orelse, Load);
    case Dict_kind:
        if (seq_len(e->v.Dict.keys) != seq_len(e->v.Dict.values))
            return invalid("Dict doesn't have the same number of keys as values");
        return check_exprs(e->v.Dict.keys, Load, true) && check_exprs(e->v.Dict.values, Load, false);
    case Set_kind: return check_exprs(e->v.Set.elts, Load, false);
    case ListComp_kind: return check_comprehension(e->v.ListComp.generators) && check_expr(e->v.ListComp.elt, Load);
    case SetComp_kind: return check_comprehension(e->v.SetComp.generators) && check_expr(e->v.SetComp.elt, Load);
    case GeneratorExp_kind: return check_comprehension(e->v.GeneratorExp.generators) && check_expr(e->v.GeneratorExp.elt, Load);
    case DictComp_kind:
        return check_comprehension(e->v.DictComp.generators) && check_expr(e->v.DictComp.key, Load) &&
               check_expr(e->v.DictComp.value, Load);
    case Yield_kind: return check_optional(e->v.Yield.value);
    case YieldFrom_kind: return check_expr(e->v.YieldFrom.value, Load);
    case Await_kind: return check_expr(e->v.Await.value, Load);
    case Compare_kind:
        if (!seq_len(e->v.Compare.comparators)) return invalid("Compare has no comparators");
        if (seq_len(e->v.Compare.comparators) != seq_len(e->v.Compare.ops))
            return invalid("Compare has a different number of comparators and operands");
        return check_exprs(e->v.Compare.comparators, Load, false) && check_expr(e->v.Compare.left, Load);
    case Call_kind:
        return check_expr(e->v.Call.func, Load) && check_exprs(e->v.Call.args, Load, false) && check_keywords(e->v.Call.keywords);
    case Constant_kind: return check_constant(e->v.Constant.value);
    case JoinedStr_kind: return check_exprs(e->v.JoinedStr.values, Load, false);
    case FormattedValue_kind:
        return check_expr(e->v.FormattedValue.value, Load) && check_optional(e->v.FormattedValue.format_spec);
    case Attribute_kind: return check_expr(e->v.Attribute.value, Load);
    case Subscript_kind: return check_expr(e->v.Subscript.slice, Load) && check_expr(e->v.Subscript.value, Load);
    case Starred_kind: return check_expr(e->v.Starred.value, ctx);
    case Slice_kind:
        return check_optional(e->v.Slice.lower) && check_optional(e->v.Slice.upper) && check_optional(e->v.Slice.step);
    case List_kind: return check_exprs(e->v.List.elts, ctx, false);
    case Tuple_kind: return check_exprs(e->v.Tuple.elts, ctx, false);
    case NamedExpr_kind:
        if (e->v.NamedExpr.target->kind != Name_kind) {
            PyErr_SetString(PyExc_TypeError, "NamedExpr target must be a Name");
            return false;
        }
        return check_expr(e->v.NamedExpr.value, Load);
    case Name_kind: return true;
    default:
        PyErr_SetString(PyExc_SystemError, "unexpected expression");
        return false;
    }
}

static bool check_expr(expr_ty e, expr_context_ty ctx)
{
    if (!check_span(SPAN_OF(e))) return false;
    if (Py_EnterRecursiveCall(" during compilation")) return false;
    bool good = check_context(e, ctx) && check_expr_fields(e, ctx);
    Py_LeaveRecursiveCall();
    return good;
}

/* ---- patterns ---- */

static bool is_number(expr_ty e, bool real, bool imaginary)
{
    if (e->kind != Constant_kind) return false;
    PyObject *value = e->v.Constant.value;
    return (real && (PyLong_CheckExact(value) || PyFloat_CheckExact(value))) || (imaginary && PyComplex_CheckExact(value));
}

static bool is_negative_number(expr_ty e, bool real, bool imaginary)
{
    return e->kind == UnaryOp_kind && e->v.UnaryOp.op == USub && is_number(e->v.UnaryOp.operand, real, imaginary);
}

static bool is_complex_literal(expr_ty e)
{
    if (e->v.BinOp.op != Add && e->v.BinOp.op != Sub) return false;
    return (is_number(e->v.BinOp.left, true, false) || is_negative_number(e->v.BinOp.left, true, false)) &&
           is_number(e->v.BinOp.right, false, true);
}

static bool check_pattern_value(expr_ty e)
{
    if (!check_expr(e, Load)) return false;
    switch (e->kind) {
    case Constant_kind: {
        PyObject *value = e->v.Constant.value;
        if (is_number(e, true, true) || PyBytes_CheckExact(value) || PyUnicode_CheckExact(value)) return true;
        return invalid("unexpected constant inside of a literal pattern");
    }
    case Attribute_kind: case JoinedStr_kind: return true;
    case UnaryOp_kind: if (is_negative_number(e, true, true)) return true; break;
    case BinOp_kind: if (is_complex_literal(e)) return true; break;
    default: break;
    }
    return invalid("patterns may only match literals and attribute lookups");
}

static bool check_capture(PyObject *name)
{
    if (PyUnicode_EqualToUTF8(name, "_")) return invalid("can't capture name '_' in patterns");
    return check_name(name);
}

static bool check_patterns(pattern_seq *seq, bool star_allowed)
{
    for (Py_ssize_t i = 0; i < seq_len(seq); i++) if (!check_pattern(seq_get(seq, i), star_allowed)) return false;
    return true;
}

static bool is_singleton(PyObject *value) { return value == Py_None || PyBool_Check(value); }

static bool check_class_pattern(pattern_ty pattern)
{
    if (seq_len(pattern->v.MatchClass.kwd_attrs) != seq_len(pattern->v.MatchClass.kwd_patterns))
        return invalid("MatchClass doesn't have the same number of keyword attributes as patterns");
    if (!check_expr(pattern->v.MatchClass.cls, Load)) return false;
    expr_ty cls = pattern->v.MatchClass.cls;
    while (cls->kind == Attribute_kind) cls = cls->v.Attribute.value;
    if (cls->kind != Name_kind) return invalid("MatchClass cls field can only contain Name or Attribute nodes.");
    for (Py_ssize_t i = 0; i < seq_len(pattern->v.MatchClass.kwd_attrs); i++)
        if (!check_name(seq_get(pattern->v.MatchClass.kwd_attrs, i))) return false;
    return check_patterns(pattern->v.MatchClass.patterns, false) && check_patterns(pattern->v.MatchClass.kwd_patterns, false);
}

static bool check_mapping_pattern(pattern_ty pattern)
{
    expr_seq *keys = pattern->v.MatchMapping.keys;
    if (seq_len(keys) != seq_len(pattern->v.MatchMapping.patterns))
        return invalid("MatchMapping doesn't have the same number of keys as patterns");
    if (pattern->v.MatchMapping.rest && !check_capture(pattern->v.MatchMapping.rest)) return false;
    for (Py_ssize_t i = 0; i < seq_len(keys); i++) {
        expr_ty key = seq_get(keys, i);
        if (key->kind == Constant_kind && is_singleton(key->v.Constant.value)) continue;
        if (!check_pattern_value(key)) return false;
    }
    return check_patterns(pattern->v.MatchMapping.patterns, false);
}

static bool check_pattern_fields(pattern_ty pattern, bool star_allowed)
{
    switch (pattern->kind) {
    case MatchValue_kind: return check_pattern_value(pattern->v.MatchValue.value);
    case MatchSingleton_kind:
        return is_singleton(pattern->v.MatchSingleton.value) ? true
                                                             : invalid("MatchSingleton can only contain True, False and None");
    case MatchSequence_kind: return check_patterns(pattern->v.MatchSequence.patterns, true);
    case MatchMapping_kind: return check_mapping_pattern(pattern);
    case MatchClass_kind: return check_class_pattern(pattern);
    case MatchStar_kind:
        if (!star_allowed) return invalid("can't use MatchStar here");
        return !pattern->v.MatchStar.name || check_capture(pattern->v.MatchStar.name);
    case MatchAs_kind:
        if (pattern->v.MatchAs.name && !check_capture(pattern->v.MatchAs.name)) return false;
        if (!pattern->v.MatchAs.pattern) return true;
        if (!pattern->v.MatchAs.name) return invalid("MatchAs must specify a target name if a pattern is given");
        return check_pattern(pattern->v.MatchAs.pattern, false);
    case MatchOr_kind:
        if (seq_len(pattern->v.MatchOr.patterns) < 2) return invalid("MatchOr requires at least 2 patterns");
        return check_patterns(pattern->v.MatchOr.patterns, false);
    default:
        PyErr_SetString(PyExc_SystemError, "unexpected pattern");
        return false;
    }
}

static bool check_pattern(pattern_ty pattern, bool star_allowed)
{
    if (!pattern) return invalid("None disallowed in pattern list");
    if (!check_span(SPAN_OF(pattern))) return false;
    if (Py_EnterRecursiveCall(" during compilation")) return false;
    bool good = check_pattern_fields(pattern, star_allowed);
    Py_LeaveRecursiveCall();
    return good;
}

/* ---- statements ---- */

static bool check_body(stmt_seq *body, const char *owner)
{
    return check_not_empty(body, "body", owner) && check_stmts(body);
}

static bool check_type_params(type_param_seq *seq)
{
    for (Py_ssize_t i = 0; i < seq_len(seq); i++) {
        type_param_ty t = seq_get(seq, i);
        if (!t) continue;
        if (!check_span(SPAN_OF(t))) return false;
        bool good = true;
        switch (t->kind) {
        case TypeVar_kind:
            good = check_name(t->v.TypeVar.name) && check_optional(t->v.TypeVar.bound) && check_optional(t->v.TypeVar.default_value);
            break;
        case ParamSpec_kind: good = check_name(t->v.ParamSpec.name) && check_optional(t->v.ParamSpec.default_value); break;
        case TypeVarTuple_kind: good = check_name(t->v.TypeVarTuple.name) && check_optional(t->v.TypeVarTuple.default_value); break;
        default: break;
        }
        if (!good) return false;
    }
    return true;
}

static bool check_targets(expr_seq *targets, expr_context_ty ctx, const char *owner)
{
    return check_not_empty(targets, "targets", owner) && check_exprs(targets, ctx, false);
}

static bool check_items(withitem_seq *items, const char *owner)
{
    if (!check_not_empty(items, "items", owner)) return false;
    for (Py_ssize_t i = 0; i < items->size; i++) {
        withitem_ty item = items->items[i];
        if (!check_expr(item->context_expr, Load) || (item->optional_vars && !check_expr(item->optional_vars, Store))) return false;
    }
    return true;
}

static bool check_try(stmt_seq *body, excepthandler_seq *handlers, stmt_seq *orelse, stmt_seq *finalbody, const char *owner)
{
    if (!check_body(body, owner)) return false;
    if (!seq_len(handlers) && !seq_len(finalbody)) return invalid("%s has neither except handlers nor finalbody", owner);
    if (!seq_len(handlers) && seq_len(orelse)) return invalid("%s has orelse but no except handlers", owner);
    for (Py_ssize_t i = 0; i < seq_len(handlers); i++) {
        excepthandler_ty handler = handlers->items[i];
        if (!check_span(SPAN_OF(handler)) || !check_optional(handler->v.ExceptHandler.type) ||
            !check_body(handler->v.ExceptHandler.body, "ExceptHandler"))
            return false;
    }
    return (!seq_len(finalbody) || check_stmts(finalbody)) && (!seq_len(orelse) || check_stmts(orelse));
}

static bool check_match(stmt_ty s)
{
    match_case_seq *cases = s->v.Match.cases;
    if (!check_expr(s->v.Match.subject, Load) || !check_not_empty(cases, "cases", "Match")) return false;
    for (Py_ssize_t i = 0; i < cases->size; i++) {
        match_case_ty c = cases->items[i];
        if (!check_pattern(c->pattern, false) || !check_optional(c->guard) || !check_body(c->body, "match_case")) return false;
    }
    return true;
}

static bool check_function(arguments_ty args, stmt_seq *body, expr_seq *decorators, expr_ty returns, type_param_seq *params,
                           const char *owner)
{
    return check_body(body, owner) && check_type_params(params) && check_arguments(args) && check_exprs(decorators, Load, false) &&
           check_optional(returns);
}

static bool type_error(const char *text)
{
    PyErr_SetString(PyExc_TypeError, text);
    return false;
}

static bool check_stmt_fields(stmt_ty s)
{
    switch (s->kind) {
    case FunctionDef_kind:
        return check_function(s->v.FunctionDef.args, s->v.FunctionDef.body, s->v.FunctionDef.decorator_list, s->v.FunctionDef.returns,
                              s->v.FunctionDef.type_params, "FunctionDef");
    case AsyncFunctionDef_kind:
        return check_function(s->v.AsyncFunctionDef.args, s->v.AsyncFunctionDef.body, s->v.AsyncFunctionDef.decorator_list,
                              s->v.AsyncFunctionDef.returns, s->v.AsyncFunctionDef.type_params, "AsyncFunctionDef");
    case ClassDef_kind:
        return check_body(s->v.ClassDef.body, "ClassDef") && check_type_params(s->v.ClassDef.type_params) &&
               check_exprs(s->v.ClassDef.bases, Load, false) && check_keywords(s->v.ClassDef.keywords) &&
               check_exprs(s->v.ClassDef.decorator_list, Load, false);
    case Return_kind: return check_optional(s->v.Return.value);
    case Delete_kind: return check_targets(s->v.Delete.targets, Del, "Delete");
    case Assign_kind: return check_targets(s->v.Assign.targets, Store, "Assign") && check_expr(s->v.Assign.value, Load);
    case AugAssign_kind: return check_expr(s->v.AugAssign.target, Store) && check_expr(s->v.AugAssign.value, Load);
    case AnnAssign_kind:
        if (s->v.AnnAssign.target->kind != Name_kind && s->v.AnnAssign.simple)
            return type_error("AnnAssign with simple non-Name target");
        return check_expr(s->v.AnnAssign.target, Store) && check_optional(s->v.AnnAssign.value) &&
               check_expr(s->v.AnnAssign.annotation, Load);
    case TypeAlias_kind:
        if (s->v.TypeAlias.name->kind != Name_kind) return type_error("TypeAlias with non-Name name");
        return check_expr(s->v.TypeAlias.name, Store) && check_type_params(s->v.TypeAlias.type_params) &&
               check_expr(s->v.TypeAlias.value, Load);
    case For_kind:
        return check_expr(s->v.For.target, Store) && check_expr(s->v.For.iter, Load) && check_body(s->v.For.body, "For") &&
               check_stmts(s->v.For.orelse);
    case AsyncFor_kind:
        return check_expr(s->v.AsyncFor.target, Store) && check_expr(s->v.AsyncFor.iter, Load) &&
               check_body(s->v.AsyncFor.body, "AsyncFor") && check_stmts(s->v.AsyncFor.orelse);
    case While_kind:
        return check_expr(s->v.While.test, Load) && check_body(s->v.While.body, "While") && check_stmts(s->v.While.orelse);
    case If_kind: return check_expr(s->v.If.test, Load) && check_body(s->v.If.body, "If") && check_stmts(s->v.If.orelse);
    case With_kind: return check_items(s->v.With.items, "With") && check_body(s->v.With.body, "With");
    case AsyncWith_kind: return check_items(s->v.AsyncWith.items, "AsyncWith") && check_body(s->v.AsyncWith.body, "AsyncWith");
    case Match_kind: return check_match(s);
    case Raise_kind:
        if (s->v.Raise.exc) return check_expr(s->v.Raise.exc, Load) && check_optional(s->v.Raise.cause);
        return s->v.Raise.cause ? invalid("Raise with cause but no exception") : true;
    case Try_kind:
        return check_try(s->v.Try.body, s->v.Try.handlers, s->v.Try.orelse, s->v.Try.finalbody, "Try");
    case TryStar_kind:
        return check_try(s->v.TryStar.body, s->v.TryStar.handlers, s->v.TryStar.orelse, s->v.TryStar.finalbody, "TryStar");
    case Assert_kind: return check_expr(s->v.Assert.test, Load) && check_optional(s->v.Assert.msg);
    case Import_kind: return check_not_empty(s->v.Import.names, "names", "Import");
    case ImportFrom_kind:
        if (s->v.ImportFrom.level < 0) return invalid("Negative ImportFrom level");
        return check_not_empty(s->v.ImportFrom.names, "names", "ImportFrom");
    case Global_kind: return check_not_empty(s->v.Global.names, "names", "Global");
    case Nonlocal_kind: return check_not_empty(s->v.Nonlocal.names, "names", "Nonlocal");
    case Expr_kind: return check_expr(s->v.Expr.value, Load);
    case Pass_kind: case Break_kind: case Continue_kind: return true;
    default:
        PyErr_SetString(PyExc_SystemError, "unexpected statement");
        return false;
    }
}

static bool check_stmts(stmt_seq *seq)
{
    for (Py_ssize_t i = 0; i < seq_len(seq); i++) {
        stmt_ty s = seq_get(seq, i);
        if (!s) return invalid("None disallowed in statement list");
        if (!check_span(SPAN_OF(s))) return false;
        if (Py_EnterRecursiveCall(" during compilation")) return false;
        bool good = check_stmt_fields(s);
        Py_LeaveRecursiveCall();
        if (!good) return false;
    }
    return true;
}

int tree_validate(mod_ty tree)
{
    bool good = false;
    switch (tree->kind) {
    case Module_kind: good = check_stmts(tree->v.Module.body); break;
    case Interactive_kind: good = check_stmts(tree->v.Interactive.body); break;
    case Expression_kind: good = check_expr(tree->v.Expression.body, Load); break;
    case FunctionType_kind:
        good = check_exprs(tree->v.FunctionType.argtypes, Load, false) && check_expr(tree->v.FunctionType.returns, Load);
        break;
    default: PyErr_SetString(PyExc_SystemError, "impossible module node");
    }
    return good ? 0 : -1;
}
