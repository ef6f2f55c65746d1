/* Checks compiled patterns: the engine trusts offsets and indices, and _sre.compile() takes any list of numbers. */
#include "sre_private.h"

static bool valid_charset(const Code *code, const Code *end)
{
    while (code < end) {
        switch (*code++) {
        case OP_NEGATE: break;
        case OP_LITERAL: if (end - code < 1) return false; code++; break;
        case OP_RANGE: case OP_RANGE_UNI_IGNORE: if (end - code < 2) return false; code += 2; break;
        case OP_CHARSET: if (end - code < 8) return false; code += 8; break;
        case OP_BIGCHARSET: {
            if (end - code < 65) return false;
            Code blocks = *code++;
            const unsigned char *index = (const unsigned char *)code;
            for (int i = 0; i < 256; i++) if (index[i] >= blocks) return false;
            code += 64;
            if ((size_t)(end - code) / 8 < blocks) return false;
            code += blocks * 8;
            break;
        }
        case OP_CATEGORY: if (end - code < 1 || *code++ >= CATEGORIES) return false; break;
        default: return false;
        }
    }
    return true;
}

static bool valid_code(const Code *code, const Code *end, Py_ssize_t groups);

/* One instruction that matches exactly one character, then SUCCESS. */
static bool valid_single(const Code *code, const Code *end, Py_ssize_t groups)
{
    if (end - code < 2 || end[-1] != OP_SUCCESS) return false;
    Py_ssize_t length = end - 1 - code;
    switch (*code) {
    case OP_ANY: case OP_ANY_ALL: return length == 1;
    case OP_LITERAL: case OP_NOT_LITERAL: case OP_LITERAL_IGNORE: case OP_NOT_LITERAL_IGNORE: case OP_LITERAL_UNI_IGNORE:
    case OP_NOT_LITERAL_UNI_IGNORE: case OP_LITERAL_LOC_IGNORE: case OP_NOT_LITERAL_LOC_IGNORE: return length == 2;
    case OP_CATEGORY: return length == 2 && code[1] < CATEGORIES;
    case OP_IN: case OP_IN_IGNORE: case OP_IN_UNI_IGNORE: case OP_IN_LOC_IGNORE:
        return length >= 3 && (Py_ssize_t)code[1] == length - 1 && valid_code(code, end - 1, groups);
    default: return false;
    }
}

static bool valid_info(const Code *code, const Code *end)       /* code: after the skip */
{
    if (end - code < 3) return false;
    Code flags = code[0], min = code[1], max = code[2];
    (void)min;
    (void)max;
    if (flags & ~(Code)(INFO_PREFIX | INFO_LITERAL | INFO_CHARSET)) return false;
    if ((flags & INFO_PREFIX) && (flags & INFO_CHARSET)) return false;
    if ((flags & INFO_LITERAL) && !(flags & INFO_PREFIX)) return false;
    code += 3;
    if (flags & INFO_PREFIX) {
        if (end - code < 2) return false;
        Code length = code[0], skip = code[1];
        code += 2;
        if (!length || skip > length || (size_t)(end - code) / 2 < length) return false;
        for (Code i = 0; i < length; i++) if (code[length + i] >= length) return false;
        code += 2 * (size_t)length;
    }
    if (flags & INFO_CHARSET) {
        if (end - code < 1 || end[-1] != OP_FAILURE || !valid_charset(code, end - 1)) return false;
        code = end;
    }
    return code == end;
}


static bool valid_code(const Code *code, const Code *end, Py_ssize_t groups)
{
    if (Py_EnterRecursiveCall("")) {
        PyErr_Clear();
        return false;
    }
    bool ok = false;
    while (code < end) {
        switch (*code++) {
        case OP_MARK:
            if (end - code < 1 || (Py_ssize_t)*code++ >= 2 * groups) goto done;
            break;
        case OP_LITERAL: case OP_NOT_LITERAL: case OP_LITERAL_IGNORE: case OP_NOT_LITERAL_IGNORE: case OP_LITERAL_UNI_IGNORE:
        case OP_NOT_LITERAL_UNI_IGNORE: case OP_LITERAL_LOC_IGNORE: case OP_NOT_LITERAL_LOC_IGNORE:
            if (end - code < 1) goto done;
            code++;
            break;
        case OP_SUCCESS: case OP_FAILURE: case OP_ANY: case OP_ANY_ALL: break;
        case OP_AT: if (end - code < 1 || *code++ >= AT_CODES) goto done; break;
        case OP_CATEGORY: if (end - code < 1 || *code++ >= CATEGORIES) goto done; break;
        case OP_IN: case OP_IN_IGNORE: case OP_IN_UNI_IGNORE: case OP_IN_LOC_IGNORE: {
            if (end - code < 1) goto done;
            Py_ssize_t skip = code[0];
            if (skip < 2 || skip > end - code || code[skip - 1] != OP_FAILURE || !valid_charset(code + 1, code + skip - 1)) goto done;
            code += skip;
            break;
        }
        case OP_INFO: {
            if (end - code < 1) goto done;
            Py_ssize_t skip = code[0];
            if (skip < 4 || skip > end - code || !valid_info(code + 1, code + skip)) goto done;
            code += skip;
            break;
        }
        case OP_BRANCH: {
            const Code *target = NULL;
            for (;;) {
                if (end - code < 1) goto done;
                Py_ssize_t skip = code[0];
                if (skip == 0) break;
                if (skip < 3 || skip > end - code || !valid_code(code + 1, code + skip - 2, groups) || code[skip - 2] != OP_JUMP) goto done;
                const Code *jump = code + skip - 1;
                if ((Py_ssize_t)jump[0] > end - jump) goto done;
                if (target && target != jump + jump[0]) goto done;
                target = jump + jump[0];
                code += skip;
            }
            code++;
            if (target != code) goto done;
            break;
        }
        case OP_REPEAT_ONE: case OP_MIN_REPEAT_ONE: case OP_POSSESSIVE_REPEAT_ONE: {
            if (end - code < 3) goto done;
            Py_ssize_t skip = code[0];
            if (skip < 4 || skip > end - code || code[1] > code[2] || !valid_single(code + 3, code + skip, groups)) goto done;
            code += skip;
            break;
        }
        case OP_REPEAT: case OP_POSSESSIVE_REPEAT: {
            bool possessive = code[-1] == OP_POSSESSIVE_REPEAT;
            if (end - code < 4) goto done;
            Py_ssize_t skip = code[0];
            if (skip < 3 || skip >= end - code || code[1] > code[2] || !valid_code(code + 3, code + skip, groups)) goto done;
            code += skip;
            if (possessive ? *code != OP_SUCCESS : *code != OP_MAX_UNTIL && *code != OP_MIN_UNTIL) goto done;
            code++;
            break;
        }
        case OP_ATOMIC_GROUP: {
            if (end - code < 1) goto done;
            Py_ssize_t skip = code[0];
            if (skip < 2 || skip > end - code || !valid_code(code + 1, code + skip - 1, groups) || code[skip - 1] != OP_SUCCESS) goto done;
            code += skip;
            break;
        }
        case OP_GROUPREF: case OP_GROUPREF_IGNORE: case OP_GROUPREF_UNI_IGNORE: case OP_GROUPREF_LOC_IGNORE:
            if (end - code < 1 || (Py_ssize_t)*code++ >= groups) goto done;
            break;
        case OP_GROUPREF_EXISTS: {
            if (end - code < 2 || (Py_ssize_t)code[0] >= groups) goto done;
            Py_ssize_t skip = code[1];                   /* from the group number to the "no" part */
            if (skip < 2 || skip > end - code + 1) goto done;
            const Code *no = code + skip;
            if (no > end) goto done;
            if (skip >= 4 && no[-2] == OP_JUMP && (Py_ssize_t)no[-1] >= 1 && (Py_ssize_t)no[-1] <= end - (no - 1)
                && valid_code(code + 2, no - 2, groups) && valid_code(no, no - 1 + no[-1], groups)) {
                code = no - 1 + no[-1];
                break;
            }
            if (!valid_code(code + 2, no, groups)) goto done;
            code = no;
            break;
        }
        case OP_ASSERT: case OP_ASSERT_NOT: {
            if (end - code < 2) goto done;
            Py_ssize_t skip = code[0];
            if (skip < 3 || skip > end - code || (code[1] & 0x80000000) || !valid_code(code + 2, code + skip - 1, groups)
                || code[skip - 1] != OP_SUCCESS) goto done;
            code += skip;
            break;
        }
        default: goto done;
        }
    }
    ok = true;
done:
    Py_LeaveRecursiveCall();
    return ok;
}

int sre_validate(Pattern *pattern)
{
    const Code *end = pattern->code + pattern->size;
    if (pattern->groups >= 0 && pattern->groups <= SRE_MAXGROUPS && pattern->size >= 1 && end[-1] == OP_SUCCESS
        && valid_code(pattern->code, end - 1, pattern->groups)) return 0;
    if (!PyErr_Occurred()) PyErr_SetString(PyExc_RuntimeError, "invalid SRE code");
    return -1;
}
