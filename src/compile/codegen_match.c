/* Code for match statements (PEP 634 to 636). A pattern takes the subject from the stack. What it captures waits below the
 * items still needed, in the order of `stores`, until the whole pattern has matched. A failing test jumps to fail_pop[n]: there n
 * items are popped one after the other, so that all failures share one chain of POP_TOPs. */
#include "compile/codegen_private.h"

typedef struct NameList { PyObject **names; Py_ssize_t count, capacity; } NameList;

typedef struct PatternState {
    NameList stores;                                   /* captured so far; their values lie on the stack in this order */
    bool allow_irrefutable;                            /* may a pattern that always matches stand here? */
    Label *fail_pop;
    Py_ssize_t fail_pop_size, fail_pop_capacity;
    Py_ssize_t on_top;                                 /* items on the stack above the captures */
} PatternState;

static int gen_pattern(Compiler *c, pattern_ty p, PatternState *ps);

static bool is_wildcard(pattern_ty p) { return p->kind == MatchAs_kind && !p->v.MatchAs.name; }
static bool is_star_wildcard(pattern_ty p) { return p->kind == MatchStar_kind && !p->v.MatchStar.name; }

/* ---- lists of names ------------------------------------------------------------------------------------------------------- */

static Py_ssize_t names_find(const NameList *list, PyObject *name)
{
    for (Py_ssize_t i = 0; i < list->count; i++)
        if (list->names[i] == name) return i;
    return -1;
}

static int names_append(Compiler *c, NameList *list, PyObject *name)
{
    if (list->count == list->capacity) {
        Py_ssize_t capacity = list->capacity ? list->capacity * 2 : 4;
        PyObject **names = arena_alloc(c->arena, (size_t)capacity * sizeof *names);
        if (!names) return -1;
        if (list->count) memcpy(names, list->names, (size_t)list->count * sizeof *names);
        list->names = names;
        list->capacity = capacity;
    }
    list->names[list->count++] = name;
    return 0;
}

/* ---- failing ---------------------------------------------------------------------------------------------------------------- */

static int ensure_fail_pop(Compiler *c, PatternState *ps, Py_ssize_t n)
{
    if (n + 1 > ps->fail_pop_capacity) {
        Py_ssize_t capacity = (n + 1) * 2;
        Label *labels = arena_alloc(c->arena, (size_t)capacity * sizeof *labels);
        if (!labels) return -1;
        if (ps->fail_pop_size) memcpy(labels, ps->fail_pop, (size_t)ps->fail_pop_size * sizeof *labels);
        ps->fail_pop = labels;
        ps->fail_pop_capacity = capacity;
    }
    while (ps->fail_pop_size <= n) {
        TRY(emit_label(c, &ps->fail_pop[ps->fail_pop_size]));
        ps->fail_pop_size++;
    }
    return 0;
}

static int jump_to_fail_pop(Compiler *c, Location loc, PatternState *ps, int opcode)
{
    Py_ssize_t pops = ps->on_top + ps->stores.count;
    TRY(ensure_fail_pop(c, ps, pops));
    return emit_jump(c, loc, opcode, ps->fail_pop[pops]);
}

static int emit_fail_pops(Compiler *c, Location loc, PatternState *ps)
{
    if (!ps->fail_pop_size) return 0;
    while (--ps->fail_pop_size) {
        place(c, ps->fail_pop[ps->fail_pop_size]);
        TRY(emit(c, loc, POP_TOP));
    }
    return place(c, ps->fail_pop[0]);
}

/* ---- captures ------------------------------------------------------------------------------------------------------------------ */

/* The top goes below the next count - 1 items. */
static int emit_rotate(Compiler *c, Location loc, Py_ssize_t count)
{
    while (count > 1) TRY(emit_arg(c, loc, SWAP, count--));
    return 0;
}

static int duplicate_capture(Compiler *c, Location loc, PyObject *name)
{
    return ERROR_AT(c, loc, "multiple assignments to name %R in pattern", name);
}

static int capture(Compiler *c, Location loc, PyObject *name, PatternState *ps)
{
    if (!name) return emit(c, loc, POP_TOP);
    TRY(refuse_debug(c, loc, name, Store));
    if (names_find(&ps->stores, name) >= 0) return duplicate_capture(c, loc, name);
    TRY(emit_rotate(c, loc, ps->on_top + ps->stores.count + 1));
    return names_append(c, &ps->stores, name);
}

/* ---- sequences ------------------------------------------------------------------------------------------------------------------ */

static int gen_subpattern(Compiler *c, pattern_ty p, PatternState *ps)
{
    bool allow = ps->allow_irrefutable;
    ps->allow_irrefutable = true;
    TRY(gen_pattern(c, p, ps));
    ps->allow_irrefutable = allow;
    return 0;
}

static int emit_unpack_pattern(Compiler *c, Location loc, pattern_seq *patterns)
{
    Py_ssize_t n = seq_len(patterns);
    bool starred = false;
    for (Py_ssize_t i = 0; i < n; i++) {
        if (seq_get(patterns, i)->kind != MatchStar_kind) continue;
        if (starred) return ERROR_AT(c, loc, "multiple starred expressions in sequence pattern");
        if (i >= 1 << 8 || n - i - 1 >= INT_MAX >> 8) return ERROR_AT(c, loc, "too many expressions in star-unpacking sequence pattern");
        TRY(emit_arg(c, loc, UNPACK_EX, i + ((n - i - 1) << 8)));
        starred = true;
    }
    return starred ? 0 : emit_arg(c, loc, UNPACK_SEQUENCE, n);
}

static int match_unpacked(Compiler *c, Location loc, pattern_seq *patterns, PatternState *ps)
{
    Py_ssize_t n = seq_len(patterns);
    TRY(emit_unpack_pattern(c, loc, patterns));
    ps->on_top += n;
    for (Py_ssize_t i = 0; i < n; i++) {
        ps->on_top--;
        TRY(gen_subpattern(c, seq_get(patterns, i), ps));
    }
    return 0;
}

/* With `*_`, items are fetched by index instead of unpacking what nobody wants. */
static int match_by_index(Compiler *c, Location loc, pattern_seq *patterns, Py_ssize_t star, PatternState *ps)
{
    Py_ssize_t n = seq_len(patterns);
    ps->on_top++;
    for (Py_ssize_t i = 0; i < n; i++) {
        pattern_ty p = seq_get(patterns, i);
        if (is_wildcard(p) || i == star) continue;
        TRY(emit_arg(c, loc, COPY, 1));
        if (i < star) TRY(emit_const_int(c, loc, i));
        else {
            TRY(emit(c, loc, GET_LEN));
            TRY(emit_const_int(c, loc, n - i));
            TRY(emit_binary(c, loc, Sub, false));
        }
        TRY(emit(c, loc, BINARY_SUBSCR));
        TRY(gen_subpattern(c, p, ps));
    }
    ps->on_top--;
    return emit(c, loc, POP_TOP);
}

static int check_length(Compiler *c, Location loc, Py_ssize_t length, cmpop_ty op, PatternState *ps)
{
    TRY(emit(c, loc, GET_LEN));
    TRY(emit_const_int(c, loc, length));
    TRY(emit_compare(c, loc, op));
    return jump_to_fail_pop(c, loc, ps, POP_JUMP_IF_FALSE);
}

static int gen_sequence_pattern(Compiler *c, pattern_ty p, PatternState *ps)
{
    Location loc = LOC(p);
    pattern_seq *patterns = p->v.MatchSequence.patterns;
    Py_ssize_t n = seq_len(patterns), star = -1;
    bool only_wildcards = true, star_wildcard = false;
    for (Py_ssize_t i = 0; i < n; i++) {
        pattern_ty item = seq_get(patterns, i);
        if (item->kind == MatchStar_kind) {
            if (star >= 0) return ERROR_AT(c, loc, "multiple starred names in sequence pattern");
            star_wildcard = is_star_wildcard(item);
            only_wildcards &= star_wildcard;
            star = i;
        }
        else only_wildcards &= is_wildcard(item);
    }
    ps->on_top++;
    TRY(emit(c, loc, MATCH_SEQUENCE));
    TRY(jump_to_fail_pop(c, loc, ps, POP_JUMP_IF_FALSE));
    if (star < 0) TRY(check_length(c, loc, n, Eq, ps));
    else if (n > 1) TRY(check_length(c, loc, n - 1, GtE, ps));
    ps->on_top--;
    if (only_wildcards) return emit(c, loc, POP_TOP);
    return star_wildcard ? match_by_index(c, loc, patterns, star, ps) : match_unpacked(c, loc, patterns, ps);
}

/* ---- classes ---------------------------------------------------------------------------------------------------------------------- */

static int check_attributes(Compiler *c, identifier_seq *attrs, pattern_seq *patterns)
{
    for (Py_ssize_t i = 0; i < seq_len(attrs); i++) {
        TRY(refuse_debug(c, LOC(seq_get(patterns, i)), seq_get(attrs, i), Store));
        for (Py_ssize_t j = i + 1; j < seq_len(attrs); j++)
            if (seq_get(attrs, i) == seq_get(attrs, j))
                return ERROR_AT(c, LOC(seq_get(patterns, j)), "attribute name repeated in class pattern: %U", seq_get(attrs, i));
    }
    return 0;
}

/* [x or None] -> [x]; fails when it is None */
static int emit_not_none(Compiler *c, Location loc, PatternState *ps)
{
    TRY(emit_arg(c, loc, COPY, 1));
    TRY(emit_const(c, loc, Py_None));
    TRY(emit_arg(c, loc, IS_OP, 1));
    return jump_to_fail_pop(c, loc, ps, POP_JUMP_IF_FALSE);
}

static int gen_class_pattern(Compiler *c, pattern_ty p, PatternState *ps)
{
    Location loc = LOC(p);
    pattern_seq *patterns = p->v.MatchClass.patterns, *kwd_patterns = p->v.MatchClass.kwd_patterns;
    identifier_seq *attrs = p->v.MatchClass.kwd_attrs;
    Py_ssize_t nargs = seq_len(patterns), nattrs = seq_len(attrs);
    if (nattrs != seq_len(kwd_patterns))
        return ERROR_AT(c, loc, "kwd_attrs (%d) / kwd_patterns (%d) length mismatch in class pattern", (int)nattrs,
                        (int)seq_len(kwd_patterns));
    if (INT_MAX < nargs || INT_MAX < nargs + nattrs - 1) return ERROR_AT(c, loc, "too many sub-patterns in class pattern");
    TRY(check_attributes(c, attrs, kwd_patterns));
    TRY(gen_expr(c, p->v.MatchClass.cls));
    TRY(emit_const_new(c, loc, names_tuple(attrs ? attrs->items : NULL, nattrs)));
    TRY(emit_arg(c, loc, MATCH_CLASS, nargs));
    ps->on_top++;
    TRY(emit_arg(c, loc, COPY, 1));
    TRY(emit_const(c, loc, Py_None));
    TRY(emit_arg(c, loc, IS_OP, 1));
    TRY(jump_to_fail_pop(c, loc, ps, POP_JUMP_IF_FALSE));
    TRY(emit_arg(c, loc, UNPACK_SEQUENCE, nargs + nattrs));
    ps->on_top += nargs + nattrs - 1;
    for (Py_ssize_t i = 0; i < nargs + nattrs; i++) {
        pattern_ty item = i < nargs ? seq_get(patterns, i) : seq_get(kwd_patterns, i - nargs);
        ps->on_top--;
        if (is_wildcard(item)) TRY(emit(c, loc, POP_TOP));
        else TRY(gen_subpattern(c, item, ps));
    }
    return 0;
}

/* ---- mappings --------------------------------------------------------------------------------------------------------------------- */

static int gen_mapping_keys(Compiler *c, pattern_ty p, PyObject *seen)
{
    Location loc = LOC(p);
    expr_seq *keys = p->v.MatchMapping.keys;
    for (Py_ssize_t i = 0; i < seq_len(keys); i++) {
        expr_ty key = seq_get(keys, i);
        if (!key)
            return ERROR_AT(c, LOC(seq_get(p->v.MatchMapping.patterns, i)),
                            "can't use NULL keys in MatchMapping (set 'rest' parameter instead)");
        if (key->kind == Constant_kind) {
            int found = PySet_Contains(seen, key->v.Constant.value);
            TRY(found);
            if (found) return ERROR_AT(c, loc, "mapping pattern checks duplicate key (%R)", key->v.Constant.value);
            TRY(PySet_Add(seen, key->v.Constant.value));
        }
        else if (key->kind != Attribute_kind)
            return ERROR_AT(c, loc, "mapping pattern keys may only match literals and attribute lookups");
        TRY(gen_expr(c, key));
    }
    return 0;
}

/* [subject, keys] -> [dict of what was not matched] */
static int emit_rest(Compiler *c, Location loc, Py_ssize_t n)
{
    TRY(emit_arg(c, loc, BUILD_MAP, 0));
    TRY(emit_arg(c, loc, SWAP, 3));
    TRY(emit_arg(c, loc, DICT_UPDATE, 2));
    TRY(emit_arg(c, loc, UNPACK_SEQUENCE, n));
    for (; n; n--) {
        TRY(emit_arg(c, loc, COPY, 1 + n));
        TRY(emit_arg(c, loc, SWAP, 2));
        TRY(emit(c, loc, DELETE_SUBSCR));
    }
    return 0;
}

static int gen_mapping_pattern(Compiler *c, pattern_ty p, PatternState *ps)
{
    Location loc = LOC(p);
    pattern_seq *patterns = p->v.MatchMapping.patterns;
    Py_ssize_t n = seq_len(p->v.MatchMapping.keys);
    PyObject *rest = p->v.MatchMapping.rest;
    if (n != seq_len(patterns))
        return ERROR_AT(c, loc, "keys (%d) / patterns (%d) length mismatch in mapping pattern", (int)n, (int)seq_len(patterns));
    ps->on_top++;
    TRY(emit(c, loc, MATCH_MAPPING));
    TRY(jump_to_fail_pop(c, loc, ps, POP_JUMP_IF_FALSE));
    if (!n && !rest) {
        ps->on_top--;
        return emit(c, loc, POP_TOP);
    }
    if (n) TRY(check_length(c, loc, n, GtE, ps));
    if (INT_MAX < n - 1) return ERROR_AT(c, loc, "too many sub-patterns in mapping pattern");
    PyObject *seen = PySet_New(NULL);
    int status = seen ? gen_mapping_keys(c, p, seen) : -1;
    Py_XDECREF(seen);
    TRY(status);
    TRY(emit_arg(c, loc, BUILD_TUPLE, n));
    TRY(emit(c, loc, MATCH_KEYS));                     /* [subject, keys, values or None] */
    ps->on_top += 2;
    TRY(emit_not_none(c, loc, ps));
    TRY(emit_arg(c, loc, UNPACK_SEQUENCE, n));
    ps->on_top += n - 1;
    for (Py_ssize_t i = 0; i < n; i++) {
        ps->on_top--;
        TRY(gen_subpattern(c, seq_get(patterns, i), ps));
    }
    ps->on_top -= 2;
    if (rest) {
        TRY(emit_rest(c, loc, n));
        return capture(c, loc, rest, ps);
    }
    TRY(emit(c, loc, POP_TOP));
    return emit(c, loc, POP_TOP);
}

/* ---- alternatives ------------------------------------------------------------------------------------------------------------------- */

/* Every alternative leaves its captures in the order of the first. 0, or -1: other names, or an exception. */
static int reorder_captures(Compiler *c, Location loc, const NameList *control, NameList *stores, bool *differ)
{
    for (Py_ssize_t wanted = control->count; wanted-- > 0;) {
        Py_ssize_t at = names_find(stores, control->names[wanted]);
        if (at < 0) {
            *differ = true;
            return 0;
        }
        if (at == wanted) continue;
        /* The first at + 1 names go behind the others up to `wanted`. */
        Py_ssize_t moved = at + 1, others = wanted - at;
        PyObject **old = PyMem_New(PyObject *, (size_t)wanted + 1);
        if (!old) {
            PyErr_NoMemory();
            return -1;
        }
        memcpy(old, stores->names, ((size_t)wanted + 1) * sizeof *old);
        memcpy(stores->names, old + moved, (size_t)others * sizeof *old);
        memcpy(stores->names + others, old, (size_t)moved * sizeof *old);
        PyMem_Free(old);
        while (moved--) TRY(emit_rotate(c, loc, wanted + 1));
    }
    return 0;
}

static int gen_alternatives(Compiler *c, pattern_ty p, PatternState *ps, NameList *control, Label end)
{
    pattern_seq *patterns = p->v.MatchOr.patterns;
    bool allow = ps->allow_irrefutable, differ = false;
    for (Py_ssize_t i = 0; i < seq_len(patterns); i++) {
        pattern_ty alternative = seq_get(patterns, i);
        Location loc = LOC(alternative);
        *ps = (PatternState){ .allow_irrefutable = i == seq_len(patterns) - 1 && allow };
        TRY(emit_arg(c, loc, COPY, 1));
        TRY(gen_pattern(c, alternative, ps));
        if (i == 0) *control = ps->stores;
        else if (ps->stores.count != control->count) differ = true;
        else TRY(reorder_captures(c, loc, control, &ps->stores, &differ));
        if (differ) return ERROR_AT(c, LOC(p), "alternative patterns bind different names");
        TRY(emit_jump(c, loc, JUMP, end));
        TRY(emit_fail_pops(c, loc, ps));
    }
    return 0;
}

static int gen_or_pattern(Compiler *c, pattern_ty p, PatternState *ps)
{
    Location loc = LOC(p);
    PatternState outer = *ps;
    NameList control = {0};
    NEW_LABEL(c, end);
    TRY(gen_alternatives(c, p, ps, &control, end));
    *ps = outer;
    TRY(emit(c, loc, POP_TOP));                        /* none matched: the copy of the subject */
    TRY(jump_to_fail_pop(c, loc, ps, JUMP));
    place(c, end);
    Py_ssize_t rotations = control.count + 1 + ps->on_top + ps->stores.count;
    for (Py_ssize_t i = 0; i < control.count; i++) {
        TRY(emit_rotate(c, loc, rotations));
        if (names_find(&ps->stores, control.names[i]) >= 0) return duplicate_capture(c, loc, control.names[i]);
        TRY(names_append(c, &ps->stores, control.names[i]));
    }
    return emit(c, loc, POP_TOP);
}

/* ---- the other patterns ---------------------------------------------------------------------------------------------------------------- */

static int gen_as_pattern(Compiler *c, pattern_ty p, PatternState *ps)
{
    Location loc = LOC(p);
    PyObject *name = p->v.MatchAs.name;
    if (!p->v.MatchAs.pattern) {
        if (ps->allow_irrefutable) return capture(c, loc, name, ps);
        if (name) return ERROR_AT(c, loc, "name capture %R makes remaining patterns unreachable", name);
        return ERROR_AT(c, loc, "wildcard makes remaining patterns unreachable");
    }
    ps->on_top++;
    TRY(emit_arg(c, loc, COPY, 1));
    TRY(gen_pattern(c, p->v.MatchAs.pattern, ps));
    ps->on_top--;
    return capture(c, loc, name, ps);
}

static int gen_value_pattern(Compiler *c, pattern_ty p, PatternState *ps)
{
    Location loc = LOC(p);
    expr_ty value = p->v.MatchValue.value;
    if (value->kind != Constant_kind && value->kind != Attribute_kind)
        return ERROR_AT(c, loc, "patterns may only match literals and attribute lookups");
    TRY(gen_expr(c, value));
    TRY(emit_compare(c, loc, Eq));
    TRY(emit(c, loc, TO_BOOL));
    return jump_to_fail_pop(c, loc, ps, POP_JUMP_IF_FALSE);
}

static int gen_pattern_inner(Compiler *c, pattern_ty p, PatternState *ps)
{
    Location loc = LOC(p);
    switch (p->kind) {
    case MatchValue_kind:    return gen_value_pattern(c, p, ps);
    case MatchSingleton_kind:
        TRY(emit_const(c, loc, p->v.MatchSingleton.value));
        TRY(emit_compare(c, loc, Is));
        return jump_to_fail_pop(c, loc, ps, POP_JUMP_IF_FALSE);
    case MatchSequence_kind: return gen_sequence_pattern(c, p, ps);
    case MatchMapping_kind:  return gen_mapping_pattern(c, p, ps);
    case MatchClass_kind:    return gen_class_pattern(c, p, ps);
    case MatchStar_kind:     return capture(c, loc, p->v.MatchStar.name, ps);
    case MatchAs_kind:       return gen_as_pattern(c, p, ps);
    case MatchOr_kind:       return gen_or_pattern(c, p, ps);
    default:
        PyErr_Format(PyExc_SystemError, "invalid match pattern node in AST (kind=%d)", p->kind);
        return -1;
    }
}

static int gen_pattern(Compiler *c, pattern_ty p, PatternState *ps)
{
    if (Py_EnterRecursiveCall(" during compilation")) return -1;
    int status = gen_pattern_inner(c, p, ps);
    Py_LeaveRecursiveCall();
    return status;
}

/* ---- the statement ------------------------------------------------------------------------------------------------------------------------ */

/* is_last: the subject is not needed any more, so there is no copy of it below. */
static int gen_case(Compiler *c, match_case_ty m, bool is_last, bool may_be_irrefutable, Label end)
{
    Location loc = LOC(m->pattern);
    PatternState ps = { .allow_irrefutable = m->guard || may_be_irrefutable };
    if (!is_last) TRY(emit_arg(c, loc, COPY, 1));
    TRY(gen_pattern(c, m->pattern, &ps));
    for (Py_ssize_t i = 0; i < ps.stores.count; i++) TRY(emit_variable(c, loc, ps.stores.names[i], Store));
    if (m->guard) {
        TRY(ensure_fail_pop(c, &ps, 0));
        TRY(gen_jump_if(c, loc, m->guard, ps.fail_pop[0], false));
    }
    if (!is_last) TRY(emit(c, loc, POP_TOP));
    TRY(gen_stmts(c, m->body));
    TRY(emit_jump(c, NO_LOCATION, JUMP, end));
    return emit_fail_pops(c, loc, &ps);                /* at the place of the pattern that failed */
}

int gen_match(Compiler *c, stmt_ty s)
{
    match_case_seq *cases = s->v.Match.cases;
    Py_ssize_t n = seq_len(cases);
    TRY(gen_expr(c, s->v.Match.subject));
    NEW_LABEL(c, end);
    match_case_ty last = seq_get(cases, n - 1);
    bool has_default = n > 1 && is_wildcard(last->pattern);
    for (Py_ssize_t i = 0; i < n - has_default; i++)
        TRY(gen_case(c, seq_get(cases, i), i == n - has_default - 1, i == n - 1, end));
    if (has_default) {                                 /* `case _:` leaves nothing to test */
        TRY(emit(c, LOC(last->pattern), NOP));
        if (last->guard) TRY(gen_jump_if(c, LOC(last->pattern), last->guard, end, false));
        TRY(gen_stmts(c, last->body));
    }
    return place(c, end);
}
