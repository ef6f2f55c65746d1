/* Properties of characters for str (unicode_data.h), the _PyUnicode_ functions of Python.h, and the ASCII tables. */
#include "objects/unicode_data.h"

#include "unicode_ctype_tables.h"                          /* generated */

static inline int copy_mapping(const CharRecord *r, int32_t mapping, Py_UCS4 c, Py_UCS4 out[3])
{
    if (LIKELY(!(r->flags & CHAR_EXTENDED_CASE))) {
        out[0] = c + (Py_UCS4)mapping;
        return 1;
    }
    int n = mapping >> 24;
    for (int i = 0; i < n; i++) out[i] = extended_case[(mapping & 0xffff) + i];
    return n;
}

int char_lower_full(Py_UCS4 c, Py_UCS4 out[3]) { const CharRecord *r = char_record(c); return copy_mapping(r, r->lower, c, out); }
int char_upper_full(Py_UCS4 c, Py_UCS4 out[3]) { const CharRecord *r = char_record(c); return copy_mapping(r, r->upper, c, out); }
int char_title_full(Py_UCS4 c, Py_UCS4 out[3]) { const CharRecord *r = char_record(c); return copy_mapping(r, r->title, c, out); }

int char_fold_full(Py_UCS4 c, Py_UCS4 out[3])
{
    const CharRecord *r = char_record(c);
    int n = r->flags & CHAR_EXTENDED_CASE ? r->lower >> 20 & 7 : 0;
    if (n == 0) return copy_mapping(r, r->lower, c, out);
    int at = (r->lower & 0xffff) + (r->lower >> 24);       /* behind the lower-case mapping */
    for (int i = 0; i < n; i++) out[i] = extended_case[at + i];
    return n;
}

/* The character's value as the database gives it; -1 when there is none. */
static double char_numeric(Py_UCS4 c)
{
    size_t low = 0, high = ARRAY_LENGTH(numeric_values);
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (numeric_values[middle].code == c) return numeric_values[middle].value;
        if (numeric_values[middle].code < c) low = middle + 1;
        else high = middle;
    }
    return -1.0;
}

/* ---- functions of Python.h ---------------------------------------------------------------------------------------------- */

static Py_UCS4 simple(const CharRecord *r, int32_t mapping, Py_UCS4 c)
{
    return r->flags & CHAR_EXTENDED_CASE ? extended_case[mapping & 0xffff] : c + (Py_UCS4)mapping;
}

Py_UCS4 _PyUnicode_ToLowercase(Py_UCS4 c) { const CharRecord *r = char_record(c); return simple(r, r->lower, c); }
Py_UCS4 _PyUnicode_ToUppercase(Py_UCS4 c) { const CharRecord *r = char_record(c); return simple(r, r->upper, c); }
Py_UCS4 _PyUnicode_ToTitlecase(Py_UCS4 c) { const CharRecord *r = char_record(c); return simple(r, r->title, c); }

int _PyUnicode_IsLowercase(Py_UCS4 c) { return (char_flags(c) & CHAR_LOWER) != 0; }
int _PyUnicode_IsUppercase(Py_UCS4 c) { return (char_flags(c) & CHAR_UPPER) != 0; }
int _PyUnicode_IsTitlecase(Py_UCS4 c) { return (char_flags(c) & CHAR_TITLE) != 0; }
int _PyUnicode_IsWhitespace(const Py_UCS4 c) { return (char_flags(c) & CHAR_SPACE) != 0; }
int _PyUnicode_IsLinebreak(const Py_UCS4 c) { return (char_flags(c) & CHAR_LINEBREAK) != 0; }
int _PyUnicode_IsPrintable(Py_UCS4 c) { return (char_flags(c) & CHAR_PRINTABLE) != 0; }
int _PyUnicode_IsAlpha(Py_UCS4 c) { return (char_flags(c) & CHAR_ALPHA) != 0; }
int _PyUnicode_IsDecimalDigit(Py_UCS4 c) { return (char_flags(c) & CHAR_DECIMAL) != 0; }
int _PyUnicode_IsDigit(Py_UCS4 c) { return (char_flags(c) & CHAR_DIGIT) != 0; }
int _PyUnicode_IsNumeric(Py_UCS4 c) { return (char_flags(c) & CHAR_NUMERIC) != 0; }

int _PyUnicode_ToDecimalDigit(Py_UCS4 c)
{
    const CharRecord *r = char_record(c);
    return r->flags & CHAR_DECIMAL ? r->decimal : -1;
}

int _PyUnicode_ToDigit(Py_UCS4 c)
{
    const CharRecord *r = char_record(c);
    return r->flags & CHAR_DIGIT ? r->digit : -1;
}

double _PyUnicode_ToNumeric(Py_UCS4 c) { return char_numeric(c); }

/* Names that compiled modules use. */
PyAPI_FUNC(int) _PyUnicode_IsXidStart(Py_UCS4 c);
PyAPI_FUNC(int) _PyUnicode_IsXidContinue(Py_UCS4 c);
int _PyUnicode_IsXidStart(Py_UCS4 c) { return (char_flags(c) & CHAR_XID_START) != 0; }
int _PyUnicode_IsXidContinue(Py_UCS4 c) { return (char_flags(c) & CHAR_XID_CONTINUE) != 0; }

/* ---- ASCII ---------------------------------------------------------------------------------------------------------------- */

const unsigned char _Py_ascii_whitespace[128] = {
    ['\t'] = 1, ['\n'] = 1, ['\v'] = 1, ['\f'] = 1, ['\r'] = 1, [0x1c] = 1, [0x1d] = 1, [0x1e] = 1, [0x1f] = 1, [' '] = 1,
};

#define UP PY_CTF_UPPER
#define LO PY_CTF_LOWER
#define HU (PY_CTF_UPPER | PY_CTF_XDIGIT)
#define HL (PY_CTF_LOWER | PY_CTF_XDIGIT)
#define DI (PY_CTF_DIGIT | PY_CTF_XDIGIT)
#define SP PY_CTF_SPACE
const unsigned int _Py_ctype_table[256] = {
    ['\t'] = SP, ['\n'] = SP, ['\v'] = SP, ['\f'] = SP, ['\r'] = SP, [' '] = SP,
    ['0'] = DI, DI, DI, DI, DI, DI, DI, DI, DI, DI,
    ['A'] = HU, HU, HU, HU, HU, HU, UP, UP, UP, UP, UP, UP, UP, UP, UP, UP, UP, UP, UP, UP, UP, UP, UP, UP, UP, UP,
    ['a'] = HL, HL, HL, HL, HL, HL, LO, LO, LO, LO, LO, LO, LO, LO, LO, LO, LO, LO, LO, LO, LO, LO, LO, LO, LO, LO,
};

#define LOWER_OF(i) (unsigned char)((i) >= 'A' && (i) <= 'Z' ? (i) + 32 : (i))
#define UPPER_OF(i) (unsigned char)((i) >= 'a' && (i) <= 'z' ? (i) - 32 : (i))
#define FOUR(F, i) F(i), F((i) + 1), F((i) + 2), F((i) + 3)
#define SIXTEEN(F, i) FOUR(F, i), FOUR(F, (i) + 4), FOUR(F, (i) + 8), FOUR(F, (i) + 12)
#define ALL(F) SIXTEEN(F, 0), SIXTEEN(F, 16), SIXTEEN(F, 32), SIXTEEN(F, 48), SIXTEEN(F, 64), SIXTEEN(F, 80), SIXTEEN(F, 96), \
    SIXTEEN(F, 112), SIXTEEN(F, 128), SIXTEEN(F, 144), SIXTEEN(F, 160), SIXTEEN(F, 176), SIXTEEN(F, 192), SIXTEEN(F, 208), \
    SIXTEEN(F, 224), SIXTEEN(F, 240)
const unsigned char _Py_ctype_tolower[256] = { ALL(LOWER_OF) };
const unsigned char _Py_ctype_toupper[256] = { ALL(UPPER_OF) };
