/* _codecs_jp: the Shift JIS and EUC families. */
#include "cjk_private.h"

enum { KANA_FIRST = 0xFF61, KANA_LAST = 0xFF9F, KANA_BYTE = 0xA1, YEN = 0xA5, OVERLINE = 0x203E };

static bool is_kana(Py_UCS4 c) { return c >= KANA_FIRST && c <= KANA_LAST; }

/* ---- Shift JIS: rows of 94 laid in pairs over 188 trail bytes --------------------------------------------------------------------- */

/* Row (0 and up) and column (0 to 93) of a Shift JIS code; false: not one. */
static bool sjis_split(unsigned lead, unsigned trail, unsigned *row, unsigned *column)
{
    if (!((lead >= 0x81 && lead <= 0x9F) || (lead >= 0xE0 && lead <= 0xFC)) || trail < 0x40 || trail == 0x7F || trail > 0xFC) return false;
    unsigned t = trail < 0x80 ? trail - 0x40 : trail - 0x41;
    *row = (lead < 0xE0 ? lead - 0x81 : lead - 0xC1) * 2 + (t >= 94);
    *column = t % 94;
    return true;
}

static unsigned sjis_join(unsigned row, unsigned column)
{
    unsigned lead = row / 2, trail = column + (row & 1 ? 94 : 0);
    return (lead < 0x1F ? lead + 0x81 : lead + 0xC1) << 8 | (trail < 0x3F ? trail + 0x40 : trail + 0x41);
}

static int shift_jis_decode(const CjkCodec *codec, CjkState *s, const unsigned char *in, Py_ssize_t left, Py_UCS4 *out, int *count)
{
    unsigned row, column;
    *count = 1;
    if (*in < 0x80 || (*in >= KANA_BYTE && *in <= 0xDF)) {
        *out = *in < 0x80 ? *in : *in - (Py_UCS4)KANA_BYTE + KANA_FIRST;
        return 1;
    }
    if (!((*in >= 0x81 && *in <= 0x9F) || (*in >= 0xE0 && *in <= 0xEA))) return -1;
    if (left < 2) return CJK_NEED_MORE;
    return sjis_split(in[0], in[1], &row, &column) && (*out = cjk_decode(&cjk_jisx0208, row + 0xA1, column + 0xA1)) ? 2 : -1;
}

static int shift_jis_encode(const CjkCodec *codec, CjkState *s, const Py_UCS4 *in, Py_ssize_t left, bool flush, unsigned char *out, int *count)
{
    Py_UCS4 c = *in;
    if (c < 0x80) return cjk_put(out, count, 1, c);
    if (c == YEN || c == OVERLINE) return cjk_put(out, count, 1, c == YEN ? 0x5C : 0x7E);
    if (is_kana(c)) return cjk_put(out, count, 1, c - KANA_FIRST + KANA_BYTE);
    unsigned code = cjk_encode(&cjk_jisx0208, c);
    return code ? cjk_put(out, count, 2, sjis_join((code >> 8) - 0xA1, (code & 255) - 0xA1)) : -1;
}

/* ---- code page 932: Shift JIS with vendors' rows and a private use area ------------------------------------------------------------- */

enum { USER_FIRST = 0xE000, USER_COUNT = 1880, CP932_ODD = 0xF8F0 };

static int cp932_decode(const CjkCodec *codec, CjkState *s, const unsigned char *in, Py_ssize_t left, Py_UCS4 *out, int *count)
{
    unsigned row, column;
    *count = 1;
    if (*in <= 0x80) *out = *in;
    else if (*in >= KANA_BYTE && *in <= 0xDF) *out = *in - (Py_UCS4)KANA_BYTE + KANA_FIRST;
    else if (*in == 0xA0) *out = CP932_ODD;
    else if (*in >= 0xFD) *out = *in - 0xFDu + CP932_ODD + 1;
    else {
        if (left < 2) return CJK_NEED_MORE;
        if ((*out = cjk_decode(&cjk_cp932, in[0], in[1]))) return 2;
        if (in[0] < 0xF0 || in[0] > 0xF9 || !sjis_split(in[0], in[1], &row, &column)) return -1;
        *out = USER_FIRST + (row - 94) * 94 + column;
        return 2;
    }
    return 1;
}

static int cp932_encode(const CjkCodec *codec, CjkState *s, const Py_UCS4 *in, Py_ssize_t left, bool flush, unsigned char *out, int *count)
{
    Py_UCS4 c = *in;
    if (c <= 0x80) return cjk_put(out, count, 1, c);
    if (is_kana(c)) return cjk_put(out, count, 1, c - KANA_FIRST + KANA_BYTE);
    if (c >= CP932_ODD && c <= CP932_ODD + 3) return cjk_put(out, count, 1, c == CP932_ODD ? 0xA0 : c - CP932_ODD - 1 + 0xFD);
    unsigned code = cjk_encode(&cjk_cp932, c);
    if (!code && c >= USER_FIRST && c < USER_FIRST + USER_COUNT) code = sjis_join((c - USER_FIRST) / 94 + 94, (c - USER_FIRST) % 94);
    return code ? cjk_put(out, count, 2, code) : -1;
}

/* ---- Shift JIS with JIS X 0213: variant is the edition of 2000 ------------------------------------------------------------------------ */

/* Plane 2 fills rows 94 and up with its own rows 1, 8, 3 to 5, 12 to 15 and 78 to 94. */
static const uint8_t plane2_rows[] = { 0, 7, 2, 3, 4, 11, 12, 13, 14, 77, 78, 79, 80, 81, 82, 83, 84, 85, 86, 87, 88, 89, 90, 91, 92, 93 };

/* What only the edition of 2004 has is an error of two bytes in the older one. */
static int jisx0213_or_error(const CjkCodec *codec, unsigned lead, unsigned trail, bool plane2, Py_UCS4 *out)
{
    if ((*out = cjk_jisx0213_decode(lead, trail, plane2, codec->variant))) return 2;
    return codec->variant && cjk_jisx0213_decode(lead, trail, plane2, false) ? -2 : -1;
}

static int sjis0213_decode(const CjkCodec *codec, CjkState *s, const unsigned char *in, Py_ssize_t left, Py_UCS4 *out, int *count)
{
    unsigned row, column;
    *count = 1;
    if (*in < 0x80 || (*in >= KANA_BYTE && *in <= 0xDF)) {
        *out = *in == 0x5C ? YEN : *in == 0x7E ? OVERLINE : *in < 0x80 ? *in : *in - (Py_UCS4)KANA_BYTE + KANA_FIRST;
        return 1;
    }
    if (!((*in >= 0x81 && *in <= 0x9F) || (*in >= 0xE0 && *in <= 0xFC))) return -1;
    if (left < 2) return CJK_NEED_MORE;
    if (!sjis_split(in[0], in[1], &row, &column)) return -1;
    bool plane2 = row >= 94;
    if (plane2) {
        if (row - 94 >= ARRAY_LENGTH(plane2_rows)) return -1;
        row = plane2_rows[row - 94];
    } else if (row == 0 && column == 0x1F) {
        *out = '\\';
        return 2;
    } else if (row == 1 && column == 0x11) {
        *out = '~';
        return 2;
    }
    if (!plane2 && cjk_pair_of((row + 0xA1) << 8 | (column + 0xA1), out)) {
        *count = 2;
        return 2;
    }
    return jisx0213_or_error(codec, row + 0xA1, column + 0xA1, plane2, out);
}

/* The code of a pair of characters; 0: none here, unless the second one is still to come. */
static unsigned pair_at(const Py_UCS4 *in, Py_ssize_t left, bool flush, bool *need_more)
{
    *need_more = false;
    if (!cjk_pair_begins(*in)) return 0;
    if (left >= 2) return cjk_pair_code(in[0], in[1]);
    *need_more = !flush;
    return 0;
}

static int sjis0213_encode(const CjkCodec *codec, CjkState *s, const Py_UCS4 *in, Py_ssize_t left, bool flush, unsigned char *out, int *count)
{
    Py_UCS4 c = *in;
    bool plane2 = false, need_more;
    if (c < 0x80 && c != '\\' && c != '~') return cjk_put(out, count, 1, c);
    if (c == YEN || c == OVERLINE) return cjk_put(out, count, 1, c == YEN ? 0x5C : 0x7E);
    if (is_kana(c)) return cjk_put(out, count, 1, c - KANA_FIRST + KANA_BYTE);
    if (c == 0xFF3C || c == 0xFF5E) return -1;              /* their places are the narrow backslash's and tilde's here */
    unsigned pair = pair_at(in, left, flush, &need_more);
    if (need_more) return CJK_NEED_MORE;
    unsigned code = pair ? pair : c == '\\' ? 0xA1C0 : c == '~' ? 0xA2B2 : cjk_jisx0213_encode(c, codec->variant, &plane2);
    if (!code) return -1;
    unsigned row = (code >> 8) - 0xA1;
    if (plane2) {
        unsigned i = 0;
        while (i < ARRAY_LENGTH(plane2_rows) && plane2_rows[i] != row) i++;
        if (i == ARRAY_LENGTH(plane2_rows)) return -1;
        row = 94 + i;
    }
    cjk_put(out, count, 2, sjis_join(row, (code & 255) - 0xA1));
    return pair ? 2 : 1;
}

/* ---- EUC --------------------------------------------------------------------------------------------------------------------------------- */

enum { SS2 = 0x8E, SS3 = 0x8F };

static int kana_decode(const unsigned char *in, Py_ssize_t left, Py_UCS4 *out)
{
    if (left < 2) return CJK_NEED_MORE;
    if (in[1] < KANA_BYTE || in[1] > 0xDF) return -1;
    *out = in[1] - (Py_UCS4)KANA_BYTE + KANA_FIRST;
    return 2;
}

static int euc_jp_decode(const CjkCodec *codec, CjkState *s, const unsigned char *in, Py_ssize_t left, Py_UCS4 *out, int *count)
{
    *count = 1;
    if (*in < 0x80) {
        *out = *in;
        return 1;
    }
    if (*in == SS2) return kana_decode(in, left, out);
    int size = *in == SS3 ? 3 : 2;
    if (left < size) return CJK_NEED_MORE;
    *out = size == 3 ? cjk_decode(&cjk_jisx0212, in[1], in[2]) : cjk_decode(&cjk_jisx0208, in[0], in[1]);
    return *out ? size : -1;
}

static int euc_jp_encode(const CjkCodec *codec, CjkState *s, const Py_UCS4 *in, Py_ssize_t left, bool flush, unsigned char *out, int *count)
{
    Py_UCS4 c = *in;
    if (c < 0x80) return cjk_put(out, count, 1, c);
    if (c == YEN || c == OVERLINE) return cjk_put(out, count, 1, c == YEN ? 0x5C : 0x7E);
    if (is_kana(c)) return cjk_put(out, count, 2, SS2 << 8 | (c - KANA_FIRST + KANA_BYTE));
    unsigned code = cjk_encode(&cjk_jisx0208, c);
    if (code) return cjk_put(out, count, 2, code);
    code = cjk_encode(&cjk_jisx0212, c);
    return code ? cjk_put(out, count, 3, SS3 << 16 | code) : -1;
}

static int euc0213_decode(const CjkCodec *codec, CjkState *s, const unsigned char *in, Py_ssize_t left, Py_UCS4 *out, int *count)
{
    *count = 1;
    if (*in < 0x80) {
        *out = *in;
        return 1;
    }
    if (*in == SS2) return kana_decode(in, left, out);
    int size = *in == SS3 ? 3 : 2;
    if (left < size) return CJK_NEED_MORE;
    if (size == 3) {
        *out = cjk_jisx0213_decode(in[1], in[2], true, codec->variant);
        if (!*out) *out = cjk_decode(&cjk_jisx0212, in[1], in[2]);
        return *out ? 3 : -1;
    }
    if (cjk_pair_of((unsigned)in[0] << 8 | in[1], out)) {
        *count = 2;
        return 2;
    }
    return jisx0213_or_error(codec, in[0], in[1], false, out);
}

static int euc0213_encode(const CjkCodec *codec, CjkState *s, const Py_UCS4 *in, Py_ssize_t left, bool flush, unsigned char *out, int *count)
{
    Py_UCS4 c = *in;
    bool plane2, need_more;
    if (c < 0x80) return cjk_put(out, count, 1, c);
    if (is_kana(c)) return cjk_put(out, count, 2, SS2 << 8 | (c - KANA_FIRST + KANA_BYTE));
    unsigned code = pair_at(in, left, flush, &need_more);
    if (need_more) return CJK_NEED_MORE;
    if (code) {
        cjk_put(out, count, 2, code);
        return 2;
    }
    if ((code = cjk_jisx0213_encode(c, codec->variant, &plane2))) return cjk_put(out, count, plane2 ? 3 : 2, plane2 ? SS3 << 16 | code : code);
    if (codec->variant && cjk_jisx0213_encode(c, false, &plane2)) return -1;     /* new in 2004: JIS X 0212 is not asked */
    code = cjk_encode(&cjk_jisx0212, c);
    return code ? cjk_put(out, count, 3, SS3 << 16 | code) : -1;
}

static const CjkCodec _codecs_jp_codecs[] = {
    { "shift_jis", shift_jis_decode, shift_jis_encode },
    { "cp932", cp932_decode, cp932_encode },
    { "euc_jp", euc_jp_decode, euc_jp_encode },
    { "shift_jis_2004", sjis0213_decode, sjis0213_encode },
    { "euc_jis_2004", euc0213_decode, euc0213_encode },
    { "euc_jisx0213", euc0213_decode, euc0213_encode, .variant = true },
    { "shift_jisx0213", sjis0213_decode, sjis0213_encode, .variant = true },
    {0},
};
CJK_MODULE(_codecs_jp)
