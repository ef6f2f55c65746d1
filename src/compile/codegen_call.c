/* Code for calls, super(), displays, unpacking and f-strings: everything that puts many values on the stack. Up to
 * STACK_USE_GUIDELINE of them are pushed and taken at once; more are added one by one to a list, set or dict. */
#include "compile/codegen_private.h"

/* ---- lists, tuples, sets -------------------------------------------------------------------------------------------------- */

typedef struct DisplayOps { int build, add, extend; bool tuple; } DisplayOps;
static const DisplayOps list_ops = { BUILD_LIST, LIST_APPEND, LIST_EXTEND, false },
                        tuple_ops = { BUILD_LIST, LIST_APPEND, LIST_EXTEND, true },
                        set_ops = { BUILD_SET, SET_ADD, SET_UPDATE, false };

static bool all_constant(expr_seq *elts, Py_ssize_t begin, Py_ssize_t end)
{
    for (Py_ssize_t i = begin; i < end; i++)
        if (!seq_get(elts, i) || seq_get(elts, i)->kind != Constant_kind) return false;
    return true;
}

static PyObject *constants_tuple(expr_seq *elts, Py_ssize_t begin, Py_ssize_t end)
{
    PyObject *tuple = PyTuple_New(end - begin);
    if (!tuple) return NULL;
    for (Py_ssize_t i = begin; i < end; i++) PyTuple_SET_ITEM(tuple, i - begin, Py_NewRef(seq_get(elts, i)->v.Constant.value));
    return tuple;
}

static int gen_constant_items(Compiler *c, Location loc, expr_seq *elts, Py_ssize_t pushed, const DisplayOps *ops)
{
    PyObject *items = constants_tuple(elts, 0, seq_len(elts));
    if (ops->tuple && pushed == 0) return emit_const_new(c, loc, items);
    if (items && ops->add == SET_ADD) Py_SETREF(items, PyFrozenSet_New(items));
    if (!items) return -1;
    if (emit_arg(c, loc, ops->build, pushed) < 0) {
        Py_DECREF(items);
        return -1;
    }
    TRY(emit_const_new(c, loc, items));
    TRY(emit_arg(c, loc, ops->extend, 1));
    return ops->tuple ? emit_arg(c, loc, CALL_INTRINSIC_1, INTRINSIC_LIST_TO_TUPLE) : 0;
}

/* [`pushed` values] -> [list, tuple or set of them and of elts]. injected: a variable that comes last, or NULL. */
static int gen_items(Compiler *c, Location loc, expr_seq *elts, PyObject *injected, Py_ssize_t pushed, const DisplayOps *ops)
{
    Py_ssize_t n = seq_len(elts);
    if (n > 2 && !injected && all_constant(elts, 0, n)) return gen_constant_items(c, loc, elts, pushed, ops);
    bool starred = false, built = n + pushed + (injected ? 1 : 0) > STACK_USE_GUIDELINE;
    for (Py_ssize_t i = 0; i < n && !starred; i++) starred = seq_get(elts, i)->kind == Starred_kind;
    if (!starred && !built) {
        TRY(gen_exprs(c, elts));
        if (injected) TRY(emit_variable(c, loc, injected, Load));
        return emit_arg(c, loc, ops->tuple ? BUILD_TUPLE : ops->build, n + pushed + (injected ? 1 : 0));
    }
    if (built) TRY(emit_arg(c, loc, ops->build, pushed));
    for (Py_ssize_t i = 0; i < n; i++) {
        expr_ty e = seq_get(elts, i);
        if (e->kind == Starred_kind) {
            if (!built) TRY(emit_arg(c, loc, ops->build, i + pushed));
            built = true;
            TRY(gen_expr(c, e->v.Starred.value));
            TRY(emit_arg(c, loc, ops->extend, 1));
        }
        else {
            TRY(gen_expr(c, e));
            if (built) TRY(emit_arg(c, loc, ops->add, 1));
        }
    }
    if (injected) {
        TRY(emit_variable(c, loc, injected, Load));
        TRY(emit_arg(c, loc, ops->add, 1));
    }
    return ops->tuple ? emit_arg(c, loc, CALL_INTRINSIC_1, INTRINSIC_LIST_TO_TUPLE) : 0;
}

int gen_display(Compiler *c, expr_ty e)
{
    switch (e->kind) {
    case List_kind:  return gen_items(c, LOC(e), e->v.List.elts, NULL, 0, &list_ops);
    case Tuple_kind: return gen_items(c, LOC(e), e->v.Tuple.elts, NULL, 0, &tuple_ops);
    default:         return gen_items(c, LOC(e), e->v.Set.elts, NULL, 0, &set_ops);
    }
}

int gen_unpack(Compiler *c, Location loc, expr_seq *targets)
{
    Py_ssize_t n = seq_len(targets);
    bool starred = false;
    for (Py_ssize_t i = 0; i < n; i++) {
        if (seq_get(targets, i)->kind != Starred_kind) continue;
        if (starred) return ERROR_AT(c, loc, "multiple starred expressions in assignment");
        if (i >= 1 << 8 || n - i - 1 >= INT_MAX >> 8) return ERROR_AT(c, loc, "too many expressions in star-unpacking assignment");
        TRY(emit_arg(c, loc, UNPACK_EX, i + ((n - i - 1) << 8)));
        starred = true;
    }
    if (!starred) TRY(emit_arg(c, loc, UNPACK_SEQUENCE, n));
    for (Py_ssize_t i = 0; i < n; i++) {
        expr_ty e = seq_get(targets, i);
        TRY(gen_expr(c, e->kind == Starred_kind ? e->v.Starred.value : e));
    }
    return 0;
}

/* ---- dicts ------------------------------------------------------------------------------------------------------------------ */

/* The dict of some neighbouring items; `more`: it is added to the one below. */
static int gen_dict_part(Compiler *c, expr_ty e, Py_ssize_t begin, Py_ssize_t end, bool more)
{
    Location loc = LOC(e);
    expr_seq *keys = e->v.Dict.keys, *values = e->v.Dict.values;
    Py_ssize_t n = end - begin;
    bool big = n * 2 > STACK_USE_GUIDELINE;
    if (n > 1 && !big && all_constant(keys, begin, end)) {
        for (Py_ssize_t i = begin; i < end; i++) TRY(gen_expr(c, seq_get(values, i)));
        TRY(emit_const_new(c, loc, constants_tuple(keys, begin, end)));
        TRY(emit_arg(c, loc, BUILD_CONST_KEY_MAP, n));
    }
    else {
        if (big) TRY(emit_arg(c, loc, BUILD_MAP, 0));
        for (Py_ssize_t i = begin; i < end; i++) {
            TRY(gen_expr(c, seq_get(keys, i)));
            TRY(gen_expr(c, seq_get(values, i)));
            if (big) TRY(emit_arg(c, loc, MAP_ADD, 1));
        }
        if (!big) TRY(emit_arg(c, loc, BUILD_MAP, n));
    }
    return more ? emit_arg(c, loc, DICT_UPDATE, 1) : 0;
}

int gen_dict(Compiler *c, expr_ty e)
{
    Location loc = LOC(e);
    Py_ssize_t n = seq_len(e->v.Dict.values), waiting = 0;
    bool have = false;                                 /* a dict is on the stack */
    for (Py_ssize_t i = 0; i < n; i++) {
        if (!seq_get(e->v.Dict.keys, i)) {             /* **mapping */
            if (waiting) {
                TRY(gen_dict_part(c, e, i - waiting, i, have));
                have = true;
                waiting = 0;
            }
            if (!have) TRY(emit_arg(c, loc, BUILD_MAP, 0));
            have = true;
            TRY(gen_expr(c, seq_get(e->v.Dict.values, i)));
            TRY(emit_arg(c, loc, DICT_UPDATE, 1));
        }
        else if (waiting * 2 > STACK_USE_GUIDELINE) {
            TRY(gen_dict_part(c, e, i - waiting, i + 1, have));
            have = true;
            waiting = 0;
        }
        else waiting++;
    }
    if (waiting) {
        TRY(gen_dict_part(c, e, n - waiting, n, have));
        have = true;
    }
    return have ? 0 : emit_arg(c, loc, BUILD_MAP, 0);
}

/* ---- calls ------------------------------------------------------------------------------------------------------------------ */

static int warn_called(Compiler *c, expr_ty e)
{
    const char *type;
    switch (e->kind) {
    case Constant_kind:     type = Py_TYPE(e->v.Constant.value)->tp_name; break;
    case Tuple_kind:        type = "tuple"; break;
    case List_kind:
    case ListComp_kind:     type = "list"; break;
    case Dict_kind:
    case DictComp_kind:     type = "dict"; break;
    case Set_kind:
    case SetComp_kind:      type = "set"; break;
    case GeneratorExp_kind: type = "generator"; break;
    case JoinedStr_kind:
    case FormattedValue_kind: type = "str"; break;
    default:                return 0;
    }
    return compile_warn_at(c->filename, LOC(e), "'%.200s' object is not callable; perhaps you missed a comma?", type);
}

/* Reports the repetition whose first occurrence comes first. */
static int check_keywords(Compiler *c, keyword_seq *keywords)
{
    Py_ssize_t n = seq_len(keywords);
    NameMap seen = {0};
    Py_ssize_t first = n, again = n;
    for (Py_ssize_t i = 0; i < n; i++) {
        keyword_ty k = seq_get(keywords, i);
        if (!k->arg) continue;
        TRY(refuse_debug(c, LOC(k), k->arg, Store));
        int at = n > 1 ? namemap_get(&seen, k->arg, -1) : -1;
        if (at < 0) {
            if (n > 1) TRY(namemap_set(c->arena, &seen, k->arg, (int)i));
        }
        else if (at < first) {
            first = at;
            again = i;
        }
    }
    if (again == n) return 0;
    return ERROR_AT(c, LOC(seq_get(keywords, again)), "keyword argument repeated: %U", seq_get(keywords, again)->arg);
}

static PyObject *keyword_names(keyword_seq *keywords, Py_ssize_t begin, Py_ssize_t end)
{
    PyObject *names = PyTuple_New(end - begin);
    if (!names) return NULL;
    for (Py_ssize_t i = begin; i < end; i++) PyTuple_SET_ITEM(names, i - begin, Py_NewRef(seq_get(keywords, i)->arg));
    return names;
}

static int gen_keyword_values(Compiler *c, keyword_seq *keywords, Py_ssize_t begin, Py_ssize_t end)
{
    for (Py_ssize_t i = begin; i < end; i++) TRY(gen_expr(c, seq_get(keywords, i)->value));
    return 0;
}

/* The dict of some neighbouring keywords, merged into the one below if there is one. */
static int gen_keywords_part(Compiler *c, Location loc, keyword_seq *keywords, Py_ssize_t begin, Py_ssize_t end, bool more)
{
    Py_ssize_t n = end - begin;
    bool big = n * 2 > STACK_USE_GUIDELINE;
    if (n > 1 && !big) {
        TRY(gen_keyword_values(c, keywords, begin, end));
        TRY(emit_const_new(c, loc, keyword_names(keywords, begin, end)));
        TRY(emit_arg(c, loc, BUILD_CONST_KEY_MAP, n));
    }
    else {
        if (big) TRY(emit_arg(c, NO_LOCATION, BUILD_MAP, 0));
        for (Py_ssize_t i = begin; i < end; i++) {
            TRY(emit_const(c, loc, seq_get(keywords, i)->arg));
            TRY(gen_expr(c, seq_get(keywords, i)->value));
            if (big) TRY(emit_arg(c, NO_LOCATION, MAP_ADD, 1));
        }
        if (!big) TRY(emit_arg(c, loc, BUILD_MAP, n));
    }
    return more ? emit_arg(c, loc, DICT_MERGE, 1) : 0;
}

static int gen_keywords_dict(Compiler *c, Location loc, keyword_seq *keywords)
{
    Py_ssize_t n = seq_len(keywords), waiting = 0;
    bool have = false;
    for (Py_ssize_t i = 0; i < n; i++) {
        if (seq_get(keywords, i)->arg) {
            waiting++;
            continue;
        }
        if (waiting) {
            TRY(gen_keywords_part(c, loc, keywords, i - waiting, i, have));
            have = true;
            waiting = 0;
        }
        if (!have) TRY(emit_arg(c, loc, BUILD_MAP, 0));
        have = true;
        TRY(gen_expr(c, seq_get(keywords, i)->value));
        TRY(emit_arg(c, loc, DICT_MERGE, 1));
    }
    return waiting ? gen_keywords_part(c, loc, keywords, n - waiting, n, have) : 0;
}

static bool has_unpacking(expr_seq *args, keyword_seq *keywords)
{
    for (Py_ssize_t i = 0; i < seq_len(args); i++)
        if (seq_get(args, i)->kind == Starred_kind) return true;
    for (Py_ssize_t i = 0; i < seq_len(keywords); i++)
        if (!seq_get(keywords, i)->arg) return true;
    return false;
}

int gen_call_arguments(Compiler *c, Location loc, Py_ssize_t pushed, expr_seq *args, PyObject *injected, keyword_seq *keywords)
{
    Py_ssize_t nargs = seq_len(args), nkeywords = seq_len(keywords);
    TRY(check_keywords(c, keywords));
    if (nargs + nkeywords * 2 <= STACK_USE_GUIDELINE && !has_unpacking(args, keywords)) {
        TRY(gen_exprs(c, args));
        if (injected) TRY(emit_variable(c, loc, injected, Load));
        nargs += pushed + (injected ? 1 : 0);
        if (!nkeywords) return emit_arg(c, loc, CALL, nargs);
        TRY(gen_keyword_values(c, keywords, 0, nkeywords));
        TRY(emit_const_new(c, loc, keyword_names(keywords, 0, nkeywords)));
        return emit_arg(c, loc, CALL_KW, nargs + nkeywords);
    }
    if (pushed == 0 && nargs == 1 && !injected && seq_get(args, 0)->kind == Starred_kind)
        TRY(gen_expr(c, seq_get(args, 0)->v.Starred.value));
    else TRY(gen_items(c, loc, args, injected, pushed, &tuple_ops));
    if (nkeywords) TRY(gen_keywords_dict(c, loc, keywords));
    return emit_arg(c, loc, CALL_FUNCTION_EX, nkeywords > 0);
}

/* super().x and super(A, b).x without making the super object. `super` must be the built-in as far as can be seen. */
static int is_optimized_super(Compiler *c, expr_ty attribute)
{
    expr_ty call = attribute->v.Attribute.value;
    if (call->kind != Call_kind || call->v.Call.func->kind != Name_kind || call->v.Call.func->v.Name.id != STR(super) ||
        seq_len(call->v.Call.keywords) || attribute->v.Attribute.attr == STR(__class__))
        return 0;
    if (scope_lookup(c->u->scope, STR(super)) != GLOBAL_IMPLICIT || scope_lookup(c->st.top, STR(super)) != 0) return 0;
    expr_seq *args = call->v.Call.args;
    if (seq_len(args) == 2) return seq_get(args, 0)->kind != Starred_kind && seq_get(args, 1)->kind != Starred_kind;
    if (seq_len(args) != 0) return 0;
    if (c->u->meta.argcount + c->u->meta.posonlyargcount == 0) return 0;
    int meaning = meaning_of(c, STR(__class__));
    return meaning < 0 ? -1 : meaning == FREE_SCOPE;
}

int gen_super_attribute(Compiler *c, expr_ty attribute, bool method)
{
    int optimized = is_optimized_super(c, attribute);
    if (optimized <= 0) return optimized;
    expr_ty call = attribute->v.Attribute.value;
    expr_seq *args = call->v.Call.args;
    Location loc = LOC(call);
    TRY(emit_variable(c, LOC(call->v.Call.func), STR(super), Load));
    if (seq_len(args)) TRY(gen_exprs(c, args));
    else {
        TRY(emit_variable(c, loc, STR(__class__), Load));
        TRY(emit_variable(c, loc, c->u->meta.varnames.keys[0], Load));
    }
    int opcode = method ? (seq_len(args) ? LOAD_SUPER_METHOD : LOAD_ZERO_SUPER_METHOD)
                        : (seq_len(args) ? LOAD_SUPER_ATTR : LOAD_ZERO_SUPER_ATTR);
    loc = LOC(attribute);
    TRY(emit_named(c, loc, opcode, attribute->v.Attribute.attr));
    TRY(emit(c, attribute_location(loc, attribute), NOP));     /* a line for the attribute */
    return 1;
}

/* An attribute of something that is imported here is hardly a method. */
static bool is_imported(Compiler *c, expr_ty e)
{
    return e->kind == Name_kind && (scope_symbol(c->st.top, e->v.Name.id) & DEF_IMPORT);
}

/* object.method(...) without making the bound method. 1 when it was compiled so, 0 when it cannot. */
static int gen_method_call(Compiler *c, expr_ty e)
{
    expr_ty method = e->v.Call.func;
    expr_seq *args = e->v.Call.args;
    keyword_seq *keywords = e->v.Call.keywords;
    if (method->kind != Attribute_kind || method->v.Attribute.ctx != Load || is_imported(c, method->v.Attribute.value)) return 0;
    Py_ssize_t nargs = seq_len(args), nkeywords = seq_len(keywords);
    if (nargs + nkeywords + (nkeywords != 0) >= STACK_USE_GUIDELINE || has_unpacking(args, keywords)) return 0;
    Location loc = LOC(method);
    int super = gen_super_attribute(c, method, true);
    if (super < 0) return -1;
    loc = attribute_location(loc, method);
    if (!super) {
        TRY(gen_expr(c, method->v.Attribute.value));
        TRY(emit_named(c, loc, LOAD_METHOD, method->v.Attribute.attr));
    }
    TRY(gen_exprs(c, args));
    if (nkeywords) {
        TRY(gen_keyword_values(c, keywords, 0, nkeywords));
        TRY(emit_const_new(c, loc, keyword_names(keywords, 0, nkeywords)));
    }
    loc = attribute_location(LOC(e), method);
    TRY(emit_arg(c, loc, nkeywords ? CALL_KW : CALL, nargs + nkeywords));
    return 1;
}

int gen_call(Compiler *c, expr_ty e)
{
    TRY(check_keywords(c, e->v.Call.keywords));
    int done = gen_method_call(c, e);
    if (done) return done < 0 ? -1 : 0;
    expr_ty function = e->v.Call.func;
    TRY(warn_called(c, function));
    TRY(gen_expr(c, function));
    TRY(emit(c, LOC(function), PUSH_NULL));
    return gen_call_arguments(c, LOC(e), 0, e->v.Call.args, NULL, e->v.Call.keywords);
}

/* ---- f-strings ---------------------------------------------------------------------------------------------------------------- */

int gen_joined_str(Compiler *c, expr_ty e)
{
    Location loc = LOC(e);
    expr_seq *values = e->v.JoinedStr.values;
    Py_ssize_t n = seq_len(values);
    if (n <= STACK_USE_GUIDELINE) {
        TRY(gen_exprs(c, values));
        if (n == 0) return emit_const_new(c, loc, PyUnicode_FromString(""));
        return n > 1 ? emit_arg(c, loc, BUILD_STRING, n) : 0;
    }
    TRY(emit_const_new(c, loc, PyUnicode_FromString("")));
    TRY(emit_named(c, loc, LOAD_METHOD, STR(join)));
    TRY(emit_arg(c, loc, BUILD_LIST, 0));
    for (Py_ssize_t i = 0; i < n; i++) {
        TRY(gen_expr(c, seq_get(values, i)));
        TRY(emit_arg(c, loc, LIST_APPEND, 1));
    }
    return emit_arg(c, loc, CALL, 1);
}

int gen_formatted_value(Compiler *c, expr_ty e)
{
    Location loc = LOC(e);
    int convert = 0;
    TRY(gen_expr(c, e->v.FormattedValue.value));
    switch (e->v.FormattedValue.conversion) {
    case -1:  break;
    case 's': convert = CONVERT_STR; break;
    case 'r': convert = CONVERT_REPR; break;
    case 'a': convert = CONVERT_ASCII; break;
    default:
        PyErr_Format(PyExc_SystemError, "Unrecognized conversion character %d", e->v.FormattedValue.conversion);
        return -1;
    }
    if (convert) TRY(emit_arg(c, loc, CONVERT_VALUE, convert));
    if (!e->v.FormattedValue.format_spec) return emit(c, loc, FORMAT_SIMPLE);
    TRY(gen_expr(c, e->v.FormattedValue.format_spec));
    return emit(c, loc, FORMAT_WITH_SPEC);
}
