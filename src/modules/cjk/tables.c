/* The tables of the East Asian character sets, and what is computed from them. */
#include "cjk_private.h"

typedef struct Gb18030Range { uint16_t first, count, rank; } Gb18030Range;

#include "cjk_tables.h"

int cjk_gb18030_rank(Py_UCS4 c)
{
    size_t low = 0, high = ARRAY_LENGTH(gb18030_ranges);
    while (low < high) {
        size_t middle = (low + high) / 2;
        const Gb18030Range *r = &gb18030_ranges[middle];
        if (c < r->first) high = middle;
        else if (c >= (Py_UCS4)r->first + r->count) low = middle + 1;
        else return (int)(r->rank + c - r->first);
    }
    return -1;
}

Py_UCS4 cjk_gb18030_ranked(unsigned rank)
{
    size_t low = 0, high = ARRAY_LENGTH(gb18030_ranges);
    while (low < high) {
        size_t middle = (low + high) / 2;
        const Gb18030Range *r = &gb18030_ranges[middle];
        if (rank < r->rank) high = middle;
        else if (rank >= (unsigned)r->rank + r->count) low = middle + 1;
        else return r->first + rank - r->rank;
    }
    return 0;
}

/* ---- JIS X 0213 --------------------------------------------------------------------------------------------------------------------- */

static const struct { uint16_t code, first, second; } pairs[] = {
    { 0xA4F7, 0x304B, 0x309A }, { 0xA4F8, 0x304D, 0x309A }, { 0xA4F9, 0x304F, 0x309A }, { 0xA4FA, 0x3051, 0x309A }, { 0xA4FB, 0x3053, 0x309A },
    { 0xA5F7, 0x30AB, 0x309A }, { 0xA5F8, 0x30AD, 0x309A }, { 0xA5F9, 0x30AF, 0x309A }, { 0xA5FA, 0x30B1, 0x309A }, { 0xA5FB, 0x30B3, 0x309A },
    { 0xA5FC, 0x30BB, 0x309A }, { 0xA5FD, 0x30C4, 0x309A }, { 0xA5FE, 0x30C8, 0x309A }, { 0xA6F8, 0x31F7, 0x309A }, { 0xABC4, 0x00E6, 0x0300 },
    { 0xABC8, 0x0254, 0x0300 }, { 0xABC9, 0x0254, 0x0301 }, { 0xABCA, 0x028C, 0x0300 }, { 0xABCB, 0x028C, 0x0301 }, { 0xABCC, 0x0259, 0x0300 },
    { 0xABCD, 0x0259, 0x0301 }, { 0xABCE, 0x025A, 0x0300 }, { 0xABCF, 0x025A, 0x0301 }, { 0xABE5, 0x02E9, 0x02E5 }, { 0xABE6, 0x02E5, 0x02E9 },
};

unsigned cjk_pair_code(Py_UCS4 first, Py_UCS4 second)
{
    for (size_t i = 0; i < ARRAY_LENGTH(pairs); i++)
        if (pairs[i].first == first && pairs[i].second == second) return pairs[i].code;
    return 0;
}

bool cjk_pair_begins(Py_UCS4 first)
{
    if (first > 0x31F7) return false;
    for (size_t i = 0; i < ARRAY_LENGTH(pairs); i++)
        if (pairs[i].first == first) return true;
    return false;
}

bool cjk_pair_of(unsigned code, Py_UCS4 out[2])
{
    for (size_t i = 0; i < ARRAY_LENGTH(pairs); i++)
        if (pairs[i].code == code) {
            out[0] = pairs[i].first;
            out[1] = pairs[i].second;
            return true;
        }
    return false;
}

/* The edition of 2004 added ten characters to plane 1 and exchanged one of plane 2. */
static const uint16_t added_2004[] = { 0xAEA1, 0xAFFE, 0xCFD4, 0xCFFE, 0xF4A7, 0xFEFA, 0xFEFB, 0xFEFC, 0xFEFD, 0xFEFE };
enum { EXCHANGED_CODE = 0xFDBB, EXCHANGED_OLD = 0x9B1D, EXCHANGED_NEW = 0x9B1C };

static bool is_added(unsigned code)
{
    for (size_t i = 0; i < ARRAY_LENGTH(added_2004); i++)
        if (added_2004[i] == code) return true;
    return false;
}

unsigned cjk_jisx0213_encode(Py_UCS4 c, bool old, bool *plane2)
{
    *plane2 = false;
    if (old && (c == EXCHANGED_OLD || c == EXCHANGED_NEW)) {
        *plane2 = c == EXCHANGED_OLD;
        return c == EXCHANGED_OLD ? EXCHANGED_CODE : 0;
    }
    unsigned code = cjk_encode(&cjk_jisx0213_1, c);
    if (code) return old && is_added(code) ? 0 : code;
    code = cjk_encode(&cjk_jisx0213_2, c);
    *plane2 = code != 0;
    return code;
}

Py_UCS4 cjk_jisx0213_decode(unsigned lead, unsigned trail, bool plane2, bool old)
{
    unsigned code = lead << 8 | trail;
    if (old && plane2 && code == EXCHANGED_CODE) return EXCHANGED_OLD;
    if (old && !plane2 && is_added(code)) return 0;
    return cjk_decode(plane2 ? &cjk_jisx0213_2 : &cjk_jisx0213_1, lead, trail);
}
