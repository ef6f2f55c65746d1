/* Names of characters, both ways: for \N{...}, namereplace and unicodedata.
 *
 * A name is stored as a count of words and their numbers in a list of words ordered by use. The other way a hash table of
 * characters leads to candidates, whose names are then compared. Hangul syllables and CJK ideographs are computed. */
#include "objects/unicode_data.h"
#include "unicode_name_tables.h"                           /* generated */

#include <stdio.h>
#include <string.h>

static const char hangul[3][28][4] = {
    { "G", "GG", "N", "D", "DD", "R", "M", "B", "BB", "S", "SS", "", "J", "JJ", "C", "K", "T", "P", "H" },
    { "A", "AE", "YA", "YAE", "EO", "E", "YEO", "YE", "O", "WA", "WAE", "OE", "YO", "U", "WEO", "WE", "WI", "YU", "EU", "YI", "I" },
    { "", "G", "GG", "GS", "N", "NJ", "NH", "D", "L", "LG", "LM", "LB", "LS", "LT", "LP", "LH", "M", "B", "BS", "S", "SS", "NG", "J",
      "C", "K", "T", "P", "H" },
};
enum { HANGUL_FIRST = 0xac00, HANGUL_L = 19, HANGUL_V = 21, HANGUL_T = 28, HANGUL_COUNT = HANGUL_L * HANGUL_V * HANGUL_T };

static bool is_ideograph(Py_UCS4 c)
{
    for (size_t i = 0; i < ARRAY_LENGTH(ideograph_ranges); i++) {
        if (c >= ideograph_ranges[i][0] && c <= ideograph_ranges[i][1]) return true;
    }
    return false;
}

static bool decode(uint32_t at, char *buffer, int size)
{
    const uint8_t *p = encoded_names + at;
    char *out = buffer, *end = buffer + size;
    for (int left = *p++; left > 0; left--) {
        unsigned number = *p++;
        if (number >= ONE_BYTE) number = ((number - ONE_BYTE) << 8 | *p++) + ONE_BYTE;
        uint32_t start = word_offset[number], n = word_offset[number + 1] - start;
        if ((size_t)(end - out) < n + 1) return false;
        memcpy(out, word_text + start, n);
        out += n;
        *out++ = left > 1 ? ' ' : 0;
    }
    return true;
}

bool unicode_name(Py_UCS4 c, char *buffer, int size, bool extras)
{
    if (c >= ALIAS) {
        if (!extras) return false;
        if (c >= SEQUENCE && c < SEQUENCE + named_sequences_COUNT) return decode(named_sequences[c - SEQUENCE].name, buffer, size);
        return c < ALIAS + name_aliases_COUNT && decode(name_aliases[c - ALIAS].name, buffer, size);
    }
    if (c >= HANGUL_FIRST && c < HANGUL_FIRST + HANGUL_COUNT) {
        unsigned i = c - HANGUL_FIRST;
        return snprintf(buffer, (size_t)size, "HANGUL SYLLABLE %s%s%s", hangul[0][i / (HANGUL_V * HANGUL_T)],
                        hangul[1][i % (HANGUL_V * HANGUL_T) / HANGUL_T], hangul[2][i % HANGUL_T]) < size;
    }
    if (is_ideograph(c)) return snprintf(buffer, (size_t)size, "CJK UNIFIED IDEOGRAPH-%X", (unsigned)c) < size;
    uint32_t at = name_index2[((uint32_t)name_index1[c >> UNICODE_SHIFT] << UNICODE_SHIFT) + (c & ((1 << UNICODE_SHIFT) - 1))];
    return at && decode(at, buffer, size);
}

static inline char upper(char c) { return c >= 'a' && c <= 'z' ? (char)(c - 32) : c; }

static bool equal_ignoring_case(const char *name, int n, const char *text)
{
    if ((int)strlen(text) != n) return false;
    for (int i = 0; i < n; i++) if (upper(name[i]) != text[i]) return false;
    return true;
}

/* Computed names are known in upper case only. */
static bool begins(const char *name, int n, const char *prefix)
{
    int length = (int)strlen(prefix);
    return n >= length && memcmp(name, prefix, (size_t)length) == 0;
}

/* The longest part of group g that s begins with; its length, or -1. */
static int hangul_part(const char *s, int n, int g, int count, int *number)
{
    int best = -1;
    for (int i = 0; i < count; i++) {
        int length = (int)strlen(hangul[g][i]);
        if (length > best && begins(s, n, hangul[g][i])) {
            best = length;
            *number = i;
        }
    }
    return best;
}

static bool lookup_hangul(const char *s, int n, Py_UCS4 *c)
{
    int part[3], counts[3] = { HANGUL_L, HANGUL_V, HANGUL_T };
    for (int g = 0; g < 3; g++) {
        int length = hangul_part(s, n, g, counts[g], &part[g]);
        if (length < 0) return false;
        s += length;
        n -= length;
    }
    *c = HANGUL_FIRST + (Py_UCS4)((part[0] * HANGUL_V + part[1]) * HANGUL_T + part[2]);
    return n == 0;
}

static bool lookup_ideograph(const char *s, int n, Py_UCS4 *c)
{
    Py_UCS4 value = 0;
    if (n != 4 && n != 5) return false;
    for (int i = 0; i < n; i++) {
        char d = s[i];
        if (!((d >= '0' && d <= '9') || (d >= 'A' && d <= 'F'))) return false;
        value = value * 16 + (Py_UCS4)(d <= '9' ? d - '0' : d - 'A' + 10);
    }
    *c = value;
    return is_ideograph(value);
}

bool unicode_lookup(const char *name, int n, Py_UCS4 *c, bool with_sequences)
{
    char text[256];
    if (begins(name, n, "HANGUL SYLLABLE ")) return lookup_hangul(name + 16, n - 16, c);
    if (begins(name, n, "CJK UNIFIED IDEOGRAPH-")) return lookup_ideograph(name + 22, n - 22, c);
    uint32_t h = 2166136261u;
    for (int i = 0; i < n; i++) h = (h ^ (unsigned char)upper(name[i])) * 16777619u;
    h ^= h >> 15;
    for (uint32_t i = h & (HASH_SIZE - 1); name_hash[i]; i = (i + 1) & (HASH_SIZE - 1)) {
        Py_UCS4 found = name_hash[i] - 1;
        if (!unicode_name(found, text, sizeof text, true) || !equal_ignoring_case(name, n, text)) continue;
        if (found >= SEQUENCE) {
            if (!with_sequences) return false;
            *c = found;
        }
        else *c = found >= ALIAS ? name_aliases[found - ALIAS].code[0] : found;
        return true;
    }
    return false;
}

int unicode_sequence(Py_UCS4 c, Py_UCS4 out[4])
{
    if (c < SEQUENCE || c >= SEQUENCE + named_sequences_COUNT) return 0;
    int n = named_sequences[c - SEQUENCE].length;
    for (int i = 0; i < n; i++) out[i] = named_sequences[c - SEQUENCE].code[i];
    return n;
}
