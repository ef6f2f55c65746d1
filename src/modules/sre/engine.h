/* The matching machine for one character width: included with CHAR and NAME(x) defined. See sre_private.h for the stack. */

#define AT(p) ((const CHAR *)(p))

static inline bool NAME(at)(Matcher *m, const CHAR *p, Code where)
{
    const CHAR *begin = AT(m->beginning), *end = AT(m->end);
    bool before, here;
    switch (where) {
    case AT_BEGINNING: case AT_BEGINNING_STRING: return p == begin;
    case AT_BEGINNING_LINE: return p == begin || p[-1] == '\n';
    case AT_END: return p == end || (end - p == 1 && *p == '\n');
    case AT_END_LINE: return p == end || *p == '\n';
    case AT_END_STRING: return p == end;
    case AT_BOUNDARY: case AT_NON_BOUNDARY:
        if (begin == end) return false;
        before = p > begin && sre_category(CATEGORY_WORD, p[-1]);
        here = p < end && sre_category(CATEGORY_WORD, *p);
        return (before != here) == (where == AT_BOUNDARY);
    case AT_LOC_BOUNDARY: case AT_LOC_NON_BOUNDARY:
        if (begin == end) return false;
        before = p > begin && sre_category(CATEGORY_LOC_WORD, p[-1]);
        here = p < end && sre_category(CATEGORY_LOC_WORD, *p);
        return (before != here) == (where == AT_LOC_BOUNDARY);
    case AT_UNI_BOUNDARY: case AT_UNI_NON_BOUNDARY:
        if (begin == end) return false;
        before = p > begin && sre_category(CATEGORY_UNI_WORD, p[-1]);
        here = p < end && sre_category(CATEGORY_UNI_WORD, *p);
        return (before != here) == (where == AT_UNI_BOUNDARY);
    default: return false;
    }
}

static inline bool NAME(equal_locale)(Py_UCS4 literal, Py_UCS4 c)
{
    return c == literal || sre_lower_locale(c) == literal || sre_upper_locale(c) == literal;
}

static inline bool NAME(in_locale)(const Code *set, Py_UCS4 c)
{
    Py_UCS4 lower = sre_lower_locale(c), upper = sre_upper_locale(c);
    return sre_charset(set, lower) || (upper != lower && sre_charset(set, upper));
}

/* Does the one-character instruction at code match c? */
static inline bool NAME(one)(const Code *code, Py_UCS4 c)
{
    switch (code[0]) {
    case OP_ANY: return c != '\n';
    case OP_ANY_ALL: return true;
    case OP_CATEGORY: return sre_category(code[1], c);
    case OP_IN: return sre_charset(code + 2, c);
    case OP_IN_IGNORE: return sre_charset(code + 2, sre_lower_ascii(c));
    case OP_IN_UNI_IGNORE: return sre_charset(code + 2, Py_UNICODE_TOLOWER(c));
    case OP_IN_LOC_IGNORE: return NAME(in_locale)(code + 2, c);
    case OP_LITERAL: return c == code[1];
    case OP_NOT_LITERAL: return c != code[1];
    case OP_LITERAL_IGNORE: return sre_lower_ascii(c) == code[1];
    case OP_NOT_LITERAL_IGNORE: return sre_lower_ascii(c) != code[1];
    case OP_LITERAL_UNI_IGNORE: return Py_UNICODE_TOLOWER(c) == code[1];
    case OP_NOT_LITERAL_UNI_IGNORE: return Py_UNICODE_TOLOWER(c) != code[1];
    case OP_LITERAL_LOC_IGNORE: return NAME(equal_locale)(code[1], c);
    case OP_NOT_LITERAL_LOC_IGNORE: return !NAME(equal_locale)(code[1], c);
    default: return false;
    }
}

/* How many of the next characters the instruction matches, at most max. */
static Py_ssize_t NAME(count)(Matcher *m, const Code *code, const CHAR *p, Code max)
{
    const CHAR *end = AT(m->end), *start = p;
    if (max != SRE_MAXREPEAT && (Py_ssize_t)max < end - p) end = p + max;
    switch (code[0]) {
    case OP_ANY_ALL: return end - p;
    case OP_ANY:
        while (p < end && *p != '\n') p++;
        break;
    case OP_LITERAL: {
        Py_UCS4 literal = code[1];
        if (literal != (CHAR)literal) return 0;
        while (p < end && *p == literal) p++;
        break;
    }
    case OP_NOT_LITERAL: {
        Py_UCS4 literal = code[1];
        while (p < end && *p != literal) p++;
        break;
    }
    case OP_IN:
        if (code[2] == OP_CHARSET && code[11] == OP_FAILURE) {       /* a bitmap alone: the common case */
            const Code *bits = code + 3;
            while (p < end && (CHAR_BYTES == 1 || (Py_UCS4)*p < 256) && (bits[*p >> 5] & 1u << (*p & 31))) p++;
            break;
        }
        while (p < end && sre_charset(code + 2, *p)) p++;
        break;
    default:
        while (p < end && NAME(one)(code, *p)) p++;
        break;
    }
    return p - start;
}

static bool NAME(same_text)(Code op, const CHAR *a, const CHAR *b, Py_ssize_t n)
{
    for (Py_ssize_t i = 0; i < n; i++) {
        Py_UCS4 x = a[i], y = b[i];
        bool same;
        switch (op) {
        case OP_GROUPREF: same = x == y; break;
        case OP_GROUPREF_IGNORE: same = sre_lower_ascii(x) == sre_lower_ascii(y); break;
        case OP_GROUPREF_UNI_IGNORE: same = Py_UNICODE_TOLOWER(x) == Py_UNICODE_TOLOWER(y); break;
        default: same = sre_lower_locale(x) == sre_lower_locale(y); break;
        }
        if (!same) return false;
    }
    return true;
}

#define PUSH(...)                                                                                                       \
    do {                                                                                                                \
        if (UNLIKELY(m->stack_size == m->stack_capacity) && !matcher_grow_stack(m)) return MATCH_NO_MEMORY;             \
        m->stack[m->stack_size++] = (Entry){ __VA_ARGS__ };                                                             \
    } while (0)

#define SET_CURRENT(value) do { PUSH(.kind = OLD_CURRENT, .count = m->current); m->current = (value); } while (0)
#define CHANGE_LOOP(number) PUSH(.kind = OLD_LOOP, .link = (number), .count = m->loops[number].count, .at = m->loops[number].last)

/* Runs from code at p. 1 and m->pointer, 0, or an error. */
static int NAME(run)(Matcher *m, const Code *code, const CHAR *p)
{
    const CHAR *const end = AT(m->end);

next:
    switch (*code++) {
    case OP_MARK: {
        Code i = code[0];
        if (i & 1) {
            PUSH(.kind = OLD_LAST, .link = (size_t)m->lastindex);
            m->lastindex = i / 2 + 1;
        }
        PUSH(.kind = OLD_MARK, .count = i, .at = m->marks[i]);
        m->marks[i] = p;
        code++;
        goto next;
    }
    case OP_LITERAL:
        if (p >= end || *p != code[0]) goto fail;
        p++;
        code++;
        goto next;
    case OP_NOT_LITERAL:
        if (p >= end || *p == code[0]) goto fail;
        p++;
        code++;
        goto next;
    case OP_ANY:
        if (p >= end || *p == '\n') goto fail;
        p++;
        goto next;
    case OP_ANY_ALL:
        if (p >= end) goto fail;
        p++;
        goto next;
    case OP_IN:
        if (p >= end || !sre_charset(code + 1, *p)) goto fail;
        p++;
        code += code[0];
        goto next;
    case OP_CATEGORY:
    case OP_LITERAL_IGNORE: case OP_NOT_LITERAL_IGNORE: case OP_LITERAL_UNI_IGNORE: case OP_NOT_LITERAL_UNI_IGNORE:
    case OP_LITERAL_LOC_IGNORE: case OP_NOT_LITERAL_LOC_IGNORE:
        if (p >= end || !NAME(one)(code - 1, *p)) goto fail;
        p++;
        code++;
        goto next;
    case OP_IN_IGNORE: case OP_IN_UNI_IGNORE: case OP_IN_LOC_IGNORE:
        if (p >= end || !NAME(one)(code - 1, *p)) goto fail;
        p++;
        code += code[0];
        goto next;
    case OP_AT:
        if (!NAME(at)(m, p, code[0])) goto fail;
        code++;
        goto next;
    case OP_JUMP:
    case OP_INFO:
        code += code[0];
        goto next;
    case OP_FAILURE:
        goto fail;

    case OP_BRANCH:
    branch:
        for (; code[0]; code += code[0]) {
            if (code[1] == OP_LITERAL && (p >= end || *p != code[2])) continue;
            if (code[1] == OP_IN && (p >= end || !sre_charset(code + 3, *p))) continue;
            PUSH(.kind = CHOICE_BRANCH, .code = code + code[0], .at = p, .count = m->current);
            code++;
            goto next;
        }
        goto fail;

    case OP_REPEAT_ONE: {
        if ((Py_ssize_t)code[1] > end - p) goto fail;
        Py_ssize_t n = NAME(count)(m, code + 3, p, code[2]);
        if (n < (Py_ssize_t)code[1]) goto fail;
        const Code *tail = code + code[0];
        p += n;
        if (tail[0] == OP_LITERAL) {                     /* only where the next literal stands is worth a try */
            while (p >= end || *p != tail[1]) {
                if (n == (Py_ssize_t)code[1]) goto fail;
                p--;
                n--;
            }
        }
        if (n > (Py_ssize_t)code[1]) PUSH(.kind = CHOICE_REPEAT_ONE, .code = code, .at = p, .link = (size_t)n, .count = m->current);
        code = tail;
        goto next;
    }
    case OP_MIN_REPEAT_ONE: {
        if ((Py_ssize_t)code[1] > end - p) goto fail;
        Py_ssize_t n = code[1] ? NAME(count)(m, code + 3, p, code[1]) : 0;
        if (n < (Py_ssize_t)code[1]) goto fail;
        p += n;
        if (code[2] == SRE_MAXREPEAT || n < (Py_ssize_t)code[2])
            PUSH(.kind = CHOICE_MIN_REPEAT_ONE, .code = code, .at = p, .link = (size_t)n, .count = m->current);
        code += code[0];
        goto next;
    }
    case OP_POSSESSIVE_REPEAT_ONE: {
        if ((Py_ssize_t)code[1] > end - p) goto fail;
        Py_ssize_t n = NAME(count)(m, code + 3, p, code[2]);
        if (n < (Py_ssize_t)code[1]) goto fail;
        p += n;
        code += code[0];
        goto next;
    }

    case OP_REPEAT: {
        if (UNLIKELY(m->loop_count == m->loop_capacity) && !matcher_grow_loops(m)) return MATCH_NO_MEMORY;
        PUSH(.kind = NEW_LOOP);
        m->loops[m->loop_count++] = (Loop){ .code = code, .last = NULL, .count = 0, .outer = m->current };
        SET_CURRENT((uint32_t)m->loop_count);
        /* before the first iteration it is as if one had ended, but it is not counted */
        if (code[1] > 0) {
            m->loops[m->current - 1].count = 1;
            code += 3;
            goto next;
        }
        if (code[code[0]] == OP_MAX_UNTIL) goto until_zero;
        goto min_until_zero;
    }
    case OP_MAX_UNTIL: {
        if (!m->current) return MATCH_RAISED;
        uint32_t number = m->current - 1;
        Loop *loop = &m->loops[number];
        if (loop->count < loop->code[1]) {               /* not yet the least number */
            CHANGE_LOOP(number);
            loop = &m->loops[number];
            loop->count++;
            code = loop->code + 3;
            goto next;
        }
        if ((loop->count < loop->code[2] || loop->code[2] == SRE_MAXREPEAT) && p != loop->last) {
    until_zero:
            number = m->current - 1;
            CHANGE_LOOP(number);
            loop = &m->loops[number];
            if (loop->code[2] == 0) goto leave_loop;
            /* one more; should that fail, what follows the loop */
            PUSH(.kind = CHOICE_RETRY, .code = loop->code + loop->code[0] + 1, .at = p, .count = loop->outer);
            loop->count++;
            loop->last = p;
            code = loop->code + 3;
            goto next;
        }
    leave_loop:
        code = loop->code + loop->code[0] + 1;
        SET_CURRENT(loop->outer);
        goto next;
    }
    case OP_MIN_UNTIL: {
        if (!m->current) return MATCH_RAISED;
        uint32_t number = m->current - 1;
        if (m->loops[number].count < m->loops[number].code[1]) {
            CHANGE_LOOP(number);
            m->loops[number].count++;
            code = m->loops[number].code + 3;
            goto next;
        }
    min_until_zero:
        number = m->current - 1;
        PUSH(.kind = CHOICE_MIN_UNTIL, .at = p, .count = m->current);
        code = m->loops[number].code + m->loops[number].code[0] + 1;
        SET_CURRENT(m->loops[number].outer);
        goto next;
    }

    case OP_GROUPREF: case OP_GROUPREF_IGNORE: case OP_GROUPREF_UNI_IGNORE: case OP_GROUPREF_LOC_IGNORE: {
        const CHAR *from = AT(m->marks[code[0] * 2]), *to = AT(m->marks[code[0] * 2 + 1]);
        if (!from || !to || to < from || to - from > end - p || !NAME(same_text)(code[-1], from, p, to - from)) goto fail;
        p += to - from;
        code++;
        goto next;
    }
    case OP_GROUPREF_EXISTS: {
        const void *from = m->marks[code[0] * 2], *to = m->marks[code[0] * 2 + 1];
        code += !from || !to || to < from ? code[1] : 2;
        goto next;
    }

    case OP_ASSERT:
        if (p - AT(m->beginning) < (Py_ssize_t)code[1]) goto fail;
        PUSH(.kind = CALL, .code = code - 1, .at = p, .link = m->call, .count = m->current);
        m->call = m->stack_size;
        p -= code[1];
        code += 2;
        goto next;
    case OP_ASSERT_NOT:
        if (p - AT(m->beginning) < (Py_ssize_t)code[1]) {
            code += code[0];
            goto next;
        }
        PUSH(.kind = CALL, .code = code - 1, .at = p, .link = m->call, .count = m->current);
        m->call = m->stack_size;
        p -= code[1];
        code += 2;
        goto next;
    case OP_ATOMIC_GROUP:
        PUSH(.kind = CALL, .code = code - 1, .at = p, .link = m->call, .count = m->current);
        m->call = m->stack_size;
        code += 1;
        goto next;
    case OP_POSSESSIVE_REPEAT: {
        /* the counter is a loop of its own, so that iterations need no stack */
        if (UNLIKELY(m->loop_count == m->loop_capacity) && !matcher_grow_loops(m)) return MATCH_NO_MEMORY;
        PUSH(.kind = NEW_LOOP);
        m->loops[m->loop_count++] = (Loop){ .code = code, .last = NULL, .count = 0, .outer = m->current };
        SET_CURRENT((uint32_t)m->loop_count);
        goto possessive;
    }

    case OP_SUCCESS: {
        if (!m->call) {
            if ((m->match_all && p != end) || p == AT(m->must_advance)) goto fail;
            m->pointer = p;
            return 1;
        }
        size_t base = m->call - 1;
        Entry call = m->stack[base];
        m->call = call.link;
        if (call.code[0] == OP_ASSERT_NOT) {             /* all of it is undone, and failing goes on outside */
            matcher_undo(m, base);
            goto fail;
        }
        matcher_cut(m, base);
        if (call.code[0] == OP_POSSESSIVE_REPEAT) {
            SET_CURRENT(call.count);
            uint32_t number = m->current - 1;
            bool moved = p != AT(m->loops[number].last);
            if (!moved && m->loops[number].count >= m->loops[number].code[1]) goto possessive_done;
            goto possessive;
        }
        SET_CURRENT(call.count);
        code = call.code + 1 + call.code[1];
        if (call.code[0] == OP_ASSERT) p = AT(call.at);
        goto next;
    }
    default:
        PyErr_SetString(PyExc_RuntimeError, "invalid SRE code");
        return MATCH_RAISED;
    }

possessive: {
        uint32_t number = m->current - 1;
        Loop *loop = &m->loops[number];
        if (loop->code[2] != SRE_MAXREPEAT && loop->count >= loop->code[2]) goto possessive_done;
        CHANGE_LOOP(number);
        loop = &m->loops[number];
        loop->count++;
        loop->last = p;
        code = loop->code;
        PUSH(.kind = CALL, .code = code - 1, .at = p, .link = m->call, .count = m->current);
        m->call = m->stack_size;
        code += 3;
        goto next;
    }
possessive_done: {
        Loop *loop = &m->loops[m->current - 1];
        code = loop->code + loop->code[0] + 1;
        SET_CURRENT(loop->outer);
        goto next;
    }

fail:
    if (UNLIKELY((++m->ticks & 4095) == 0) && PyErr_CheckSignals() < 0) return MATCH_RAISED;
    while (m->stack_size) {
        Entry *e = &m->stack[m->stack_size - 1];
        switch (e->kind) {
        case OLD_MARK: m->marks[e->count] = e->at; break;
        case OLD_LAST: m->lastindex = (Py_ssize_t)e->link; break;
        case OLD_LOOP:
            m->loops[e->link].count = e->count;
            m->loops[e->link].last = e->at;
            break;
        case OLD_CURRENT: m->current = e->count; break;
        case NEW_LOOP: m->loop_count--; break;
        case CHOICE_BRANCH:
            code = e->code;
            p = AT(e->at);
            m->current = e->count;
            m->stack_size--;
            goto branch;
        case CHOICE_RETRY: {
            uint32_t outer = e->count;                   /* the push below takes this entry's place */
            code = e->code;
            p = AT(e->at);
            m->stack_size--;
            SET_CURRENT(outer);
            goto next;
        }
        case CHOICE_REPEAT_ONE: {
            const Code *repeat = e->code, *tail = repeat + repeat[0];
            Py_ssize_t n = (Py_ssize_t)e->link - 1, least = (Py_ssize_t)repeat[1];
            p = AT(e->at) - 1;
            m->current = e->count;
            if (tail[0] == OP_LITERAL) {
                while (n >= least && *p != tail[1]) {
                    p--;
                    n--;
                }
            }
            if (n < least) break;
            code = tail;
            if (n > least) {
                e->at = p;
                e->link = (size_t)n;
            }
            else m->stack_size--;
            goto next;
        }
        case CHOICE_MIN_REPEAT_ONE: {
            const Code *repeat = e->code;
            p = AT(e->at);
            m->current = e->count;
            if (p >= end || !NAME(one)(repeat + 3, *p)) break;
            p++;
            e->at = p;
            e->link++;
            if (repeat[2] != SRE_MAXREPEAT && e->link >= repeat[2]) m->stack_size--;
            code = repeat + repeat[0];
            goto next;
        }
        case CHOICE_MIN_UNTIL: {
            uint32_t number = e->count - 1;
            Loop *loop = &m->loops[number];
            p = AT(e->at);
            m->current = e->count;
            if ((loop->count >= loop->code[2] && loop->code[2] != SRE_MAXREPEAT) || p == AT(loop->last)) break;
            m->stack_size--;
            CHANGE_LOOP(number);
            loop = &m->loops[number];
            loop->count++;
            loop->last = p;
            code = loop->code + 3;
            goto next;
        }
        case CALL: {
            Entry call = *e;
            m->stack_size--;
            m->call = call.link;
            m->current = call.count;
            p = AT(call.at);
            if (call.code[0] == OP_ASSERT_NOT) {
                code = call.code + 1 + call.code[1];
                goto next;
            }
            if (call.code[0] == OP_POSSESSIVE_REPEAT) {  /* the iteration that failed does not count */
                uint32_t number = m->current - 1;
                CHANGE_LOOP(number);
                m->loops[number].count--;
                if (m->loops[number].count >= m->loops[number].code[1]) goto possessive_done;
                goto fail;
            }
            goto fail;
        }
        }
        m->stack_size--;
    }
    return 0;
}

int NAME(match)(Matcher *m, const Code *code)
{
    if (code[0] == OP_INFO) {
        if (code[3] && AT(m->end) - AT(m->start) < (Py_ssize_t)code[3]) return 0;       /* shorter than any match */
        code += code[1] + 1;
    }
    return NAME(run)(m, code, AT(m->start));
}

static const CHAR *NAME(find_char)(const CHAR *p, const CHAR *end, Py_UCS4 c)
{
#if CHAR_BYTES == 1
    const CHAR *found = c < 256 ? memchr(p, (int)c, (size_t)(end - p)) : NULL;
    return found ? found : end;
#else
    while (p < end && *p != c) p++;
    return p;
#endif
}

int NAME(search)(Matcher *m, const Code *code)
{
    const CHAR *p = AT(m->start), *end = AT(m->end);
    const Code *prefix = NULL, *charset = NULL;
    Py_ssize_t prefix_length = 0;
    bool literal = false;
    if (p > end) return 0;
    if (code[0] == OP_INFO) {
        Code flags = code[2];
        if (code[3] && end - p < (Py_ssize_t)code[3]) return 0;
        if (code[3] > 1) {
            end -= code[3] - 1;
            if (end <= p) end = p + 1;
        }
        if (flags & INFO_PREFIX) {
            prefix_length = code[5];
            prefix = code + 7;
            literal = flags & INFO_LITERAL;
        }
        else if (flags & INFO_CHARSET) charset = code + 5;
        code += code[1] + 1;
    }
    for (;; p++) {
        if (prefix) {
            p = NAME(find_char)(p, end, prefix[0]);
            if (p >= end) return 0;
            Py_ssize_t i = 1;
            while (i < prefix_length && p + i < AT(m->end) && p[i] == prefix[i]) i++;
            if (i < prefix_length) continue;
            if (literal && !m->match_all) {              /* the prefix is all there is */
                m->start = p;
                m->pointer = p + prefix_length;
                return 1;
            }
        }
        else if (charset) {
            while (p < end && !sre_charset(charset, *p)) p++;
            if (p >= end) return 0;
        }
        m->start = p;
        int status = NAME(run)(m, code, p);
        if (status) return status;
        m->must_advance = NULL;                          /* that was about the first place only */
        if (p >= end) return 0;
        matcher_reset(m);
    }
}

#undef AT
#undef PUSH
#undef SET_CURRENT
#undef CHANGE_LOOP
