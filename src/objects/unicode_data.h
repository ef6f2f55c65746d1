/* Properties of characters: what str's methods need of the Unicode database. The tables are generated at build time from the
 * Unicode Character Database by src/objects/tools/make_unicode.c; two-stage, so that equal blocks are stored once. */
#ifndef TAIPAN_OBJECTS_UNICODE_DATA_H
#define TAIPAN_OBJECTS_UNICODE_DATA_H

#include "taipan.h"

enum {
    CHAR_ALPHA = 1 << 0, CHAR_DECIMAL = 1 << 1, CHAR_DIGIT = 1 << 2, CHAR_LOWER = 1 << 3, CHAR_LINEBREAK = 1 << 4,
    CHAR_SPACE = 1 << 5, CHAR_TITLE = 1 << 6, CHAR_UPPER = 1 << 7, CHAR_XID_START = 1 << 8, CHAR_XID_CONTINUE = 1 << 9,
    CHAR_PRINTABLE = 1 << 10, CHAR_NUMERIC = 1 << 11, CHAR_CASE_IGNORABLE = 1 << 12, CHAR_CASED = 1 << 13,
    CHAR_EXTENDED_CASE = 1 << 14,         /* upper, lower, title are indices into the table of full mappings */
};

/* Without CHAR_EXTENDED_CASE: what to add to the character. With it: index of the full mapping in the low 16 bits, its length
 * in bits 24 and up; for lower bits 20 to 22 are the length of the case folding, which follows the lower-case mapping. */
typedef struct CharRecord {
    int32_t upper, lower, title;
    uint8_t decimal, digit;
    uint16_t flags;
} CharRecord;

extern const CharRecord unicode_records[];
extern const uint16_t unicode_record_index1[];
extern const uint16_t unicode_record_index2[];
enum { UNICODE_SHIFT = 7 };

static inline const CharRecord *char_record(Py_UCS4 c)
{
    if (UNLIKELY(c > 0x10ffff)) return &unicode_records[0];
    unsigned block = unicode_record_index1[c >> UNICODE_SHIFT];
    return &unicode_records[unicode_record_index2[(block << UNICODE_SHIFT) + (c & ((1 << UNICODE_SHIFT) - 1))]];
}

static inline unsigned char_flags(Py_UCS4 c) { return char_record(c)->flags; }

/* The full mapping into out; returns its length, 1 to 3. */
int char_lower_full(Py_UCS4 c, Py_UCS4 out[3]);
int char_upper_full(Py_UCS4 c, Py_UCS4 out[3]);
int char_title_full(Py_UCS4 c, Py_UCS4 out[3]);
int char_fold_full(Py_UCS4 c, Py_UCS4 out[3]);

/* Names, for \N{...} and unicodedata: in unicode_names.c. Name of c into buffer (NUL-terminated); false when it has none. */
bool unicode_name(Py_UCS4 c, char *buffer, int size, bool with_aliases_and_sequences);
/* The character of that name (any case); false when unknown. Aliases count; sequences too if wanted, as numbers beyond Unicode. */
bool unicode_lookup(const char *name, int length, Py_UCS4 *c, bool with_sequences);
/* The characters of the sequence that such a number stands for; its length, or 0. */
int unicode_sequence(Py_UCS4 c, Py_UCS4 out[4]);

#endif
