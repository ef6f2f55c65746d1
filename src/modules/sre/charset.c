/* Character classes of regular expressions. */
#include "sre_private.h"

#include <ctype.h>

static bool is_space_ascii(Py_UCS4 c) { return c < 128 && Py_ISSPACE(c); }
static bool is_word_ascii(Py_UCS4 c) { return c < 128 && (Py_ISALNUM(c) || c == '_'); }
static bool is_word_locale(Py_UCS4 c) { return c < 256 && (isalnum((int)c) || c == '_'); }
static bool is_word_unicode(Py_UCS4 c) { return c < 128 ? Py_ISALNUM(c) || c == '_' : Py_UNICODE_ISALNUM(c); }

Py_UCS4 sre_lower_locale(Py_UCS4 c) { return c < 256 ? (Py_UCS4)tolower((int)c) : c; }
Py_UCS4 sre_upper_locale(Py_UCS4 c) { return c < 256 ? (Py_UCS4)toupper((int)c) : c; }

bool sre_category(unsigned category, Py_UCS4 c)
{
    switch (category) {
    case CATEGORY_DIGIT: return c < 128 && Py_ISDIGIT(c);
    case CATEGORY_NOT_DIGIT: return !(c < 128 && Py_ISDIGIT(c));
    case CATEGORY_SPACE: return is_space_ascii(c);
    case CATEGORY_NOT_SPACE: return !is_space_ascii(c);
    case CATEGORY_WORD: return is_word_ascii(c);
    case CATEGORY_NOT_WORD: return !is_word_ascii(c);
    case CATEGORY_LINEBREAK: return c == '\n';
    case CATEGORY_NOT_LINEBREAK: return c != '\n';
    case CATEGORY_LOC_WORD: return is_word_locale(c);
    case CATEGORY_LOC_NOT_WORD: return !is_word_locale(c);
    case CATEGORY_UNI_DIGIT: return Py_UNICODE_ISDECIMAL(c);
    case CATEGORY_UNI_NOT_DIGIT: return !Py_UNICODE_ISDECIMAL(c);
    case CATEGORY_UNI_SPACE: return Py_UNICODE_ISSPACE(c);
    case CATEGORY_UNI_NOT_SPACE: return !Py_UNICODE_ISSPACE(c);
    case CATEGORY_UNI_WORD: return is_word_unicode(c);
    case CATEGORY_UNI_NOT_WORD: return !is_word_unicode(c);
    case CATEGORY_UNI_LINEBREAK: return Py_UNICODE_ISLINEBREAK(c);
    case CATEGORY_UNI_NOT_LINEBREAK: return !Py_UNICODE_ISLINEBREAK(c);
    default: return false;
    }
}

bool sre_charset(const Code *set, Py_UCS4 c)
{
    bool ok = true;
    for (;;) {
        switch (*set++) {
        case OP_FAILURE: return !ok;
        case OP_LITERAL:
            if (c == *set++) return ok;
            break;
        case OP_CATEGORY:
            if (sre_category(*set++, c)) return ok;
            break;
        case OP_CHARSET:
            if (c < 256 && (set[c >> 5] & 1u << (c & 31))) return ok;
            set += 8;
            break;
        case OP_RANGE:
            if (set[0] <= c && c <= set[1]) return ok;
            set += 2;
            break;
        case OP_RANGE_UNI_IGNORE: {
            if (set[0] <= c && c <= set[1]) return ok;
            Py_UCS4 upper = Py_UNICODE_TOUPPER(c);
            if (set[0] <= upper && upper <= set[1]) return ok;
            set += 2;
            break;
        }
        case OP_NEGATE: ok = !ok; break;
        case OP_BIGCHARSET: {
            Code blocks = *set++;
            const unsigned char *index = (const unsigned char *)set;
            set += 64;
            if (c < 65536) {
                unsigned block = index[c >> 8];
                if (set[(block * 256 + (c & 255)) / 32] & 1u << (c & 31)) return ok;
            }
            set += blocks * 8;
            break;
        }
        default: return false;
        }
    }
}
