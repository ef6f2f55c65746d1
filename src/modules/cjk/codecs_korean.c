/* _codecs_kr: EUC-KR, code page 949, Johab. KS X 1001 is the part of code page 949 whose bytes both have the high bit and are 0xA1 or
 * more. */
#include "cjk_private.h"

int cjk_double_decode(const CjkCodec *codec, CjkState *s, const unsigned char *in, Py_ssize_t left, Py_UCS4 *out, int *count);
int cjk_double_encode(const CjkCodec *codec, CjkState *s, const Py_UCS4 *in, Py_ssize_t left, bool flush, unsigned char *out, int *count);

enum { FILLER_LEAD = 0xA4, FILLER_TRAIL = 0xD4, FIRST_SYLLABLE = 0xAC00, LAST_SYLLABLE = 0xD7A3 };

/* Trail bytes of the letters in a syllable's three places. */
static const uint8_t initials[] = { 0xA1, 0xA2, 0xA4, 0xA7, 0xA8, 0xA9, 0xB1, 0xB2, 0xB3, 0xB5, 0xB6, 0xB7, 0xB8, 0xB9, 0xBA, 0xBB, 0xBC, 0xBD, 0xBE };
static const uint8_t finals[] = { 0xD4, 0xA1, 0xA2, 0xA3, 0xA4, 0xA5, 0xA6, 0xA7, 0xA9, 0xAA, 0xAB, 0xAC, 0xAD, 0xAE, 0xAF, 0xB0, 0xB1, 0xB2, 0xB4,
                                  0xB5, 0xB6, 0xB7, 0xB8, 0xBA, 0xBB, 0xBC, 0xBD, 0xBE };
enum { FIRST_MEDIAL = 0xBF, LAST_MEDIAL = 0xD3 };

static int place_of(const uint8_t *letters, int n, unsigned char byte)
{
    for (int i = 0; i < n; i++)
        if (letters[i] == byte) return i;
    return -1;
}

/* A syllable that KS X 1001 lacks is spelled: a filler and three letters. */
static int spelled_decode(const unsigned char *in, Py_ssize_t left, Py_UCS4 *out)
{
    if (left < 8) return CJK_NEED_MORE;
    if (in[2] != FILLER_LEAD || in[4] != FILLER_LEAD || in[6] != FILLER_LEAD) return -1;
    int initial = place_of(initials, ARRAY_LENGTH(initials), in[3]), final = place_of(finals, ARRAY_LENGTH(finals), in[7]);
    if (initial < 0 || final < 0 || in[5] < FIRST_MEDIAL || in[5] > LAST_MEDIAL) return -1;
    *out = FIRST_SYLLABLE + (Py_UCS4)initial * 588 + (in[5] - (Py_UCS4)FIRST_MEDIAL) * 28 + (Py_UCS4)final;
    return 8;
}

static int euc_kr_decode(const CjkCodec *codec, CjkState *s, const unsigned char *in, Py_ssize_t left, Py_UCS4 *out, int *count)
{
    *count = 1;
    if (*in < 0x80) {
        *out = *in;
        return 1;
    }
    if (left < 2) return CJK_NEED_MORE;
    if (in[0] == FILLER_LEAD && in[1] == FILLER_TRAIL) return spelled_decode(in, left, out);
    return in[0] >= 0xA1 && in[1] >= 0xA1 && (*out = cjk_decode(&cjk_cp949, in[0], in[1])) ? 2 : -1;
}

static int euc_kr_encode(const CjkCodec *codec, CjkState *s, const Py_UCS4 *in, Py_ssize_t left, bool flush, unsigned char *out, int *count)
{
    Py_UCS4 c = *in;
    if (c < 0x80) return cjk_put(out, count, 1, c);
    unsigned code = cjk_encode(&cjk_cp949, c);
    if (!code) return -1;
    if (code >> 8 >= 0xA1 && (code & 255) >= 0xA1) return cjk_put(out, count, 2, code);
    if (c < FIRST_SYLLABLE || c > LAST_SYLLABLE) return -1;
    c -= FIRST_SYLLABLE;
    cjk_put(out, count, 2, FILLER_LEAD << 8 | FILLER_TRAIL);
    cjk_put(out, count, 2, FILLER_LEAD << 8 | initials[c / 588]);
    cjk_put(out, count, 2, FILLER_LEAD << 8 | (FIRST_MEDIAL + c / 28 % 21));
    return cjk_put(out, count, 2, FILLER_LEAD << 8 | finals[c % 28]);
}

static const CjkCodec _codecs_kr_codecs[] = {
    { "euc_kr", euc_kr_decode, euc_kr_encode },
    { "cp949", cjk_double_decode, cjk_double_encode, .config = &cjk_cp949 },
    { "johab", cjk_double_decode, cjk_double_encode, .config = &cjk_johab },
    {0},
};
CJK_MODULE(_codecs_kr)
