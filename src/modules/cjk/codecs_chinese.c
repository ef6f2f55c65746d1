/* _codecs_cn, _codecs_tw, _codecs_hk: GB 2312, GBK, GB 18030, HZ; Big5, code page 950, Big5-HKSCS. Also the generic two-byte codec, for
 * Korean as well. */
#include "cjk_private.h"

/* ASCII and the two-byte codes of the table in config. */
int cjk_double_decode(const CjkCodec *codec, CjkState *s, const unsigned char *in, Py_ssize_t left, Py_UCS4 *out, int *count);
int cjk_double_encode(const CjkCodec *codec, CjkState *s, const Py_UCS4 *in, Py_ssize_t left, bool flush, unsigned char *out, int *count);

int cjk_double_decode(const CjkCodec *codec, CjkState *s, const unsigned char *in, Py_ssize_t left, Py_UCS4 *out, int *count)
{
    *count = 1;
    if (*in < 0x80) {
        *out = *in;
        return 1;
    }
    if (left < 2) return CJK_NEED_MORE;
    return (*out = cjk_decode(codec->config, in[0], in[1])) ? 2 : -1;
}

int cjk_double_encode(const CjkCodec *codec, CjkState *s, const Py_UCS4 *in, Py_ssize_t left, bool flush, unsigned char *out, int *count)
{
    if (*in < 0x80) return cjk_put(out, count, 1, *in);
    unsigned code = cjk_encode(codec->config, *in);
    return code ? cjk_put(out, count, 2, code) : -1;
}

/* ---- GB 18030: every character has a code, of one, two or four bytes -------------------------------------------------------------- */

static int gb18030_decode(const CjkCodec *codec, CjkState *s, const unsigned char *in, Py_ssize_t left, Py_UCS4 *out, int *count)
{
    enum { RANKS = 39420, FIRST_SUPPLEMENTARY = 15 * 12600 };
    *count = 1;
    if (*in < 0x80) {
        *out = *in;
        return 1;
    }
    if (left < 2) return CJK_NEED_MORE;
    if (in[1] < 0x30 || in[1] > 0x39) return (*out = cjk_decode(&cjk_gb18030, in[0], in[1])) ? 2 : -1;
    if (left < 4) return CJK_NEED_MORE;
    if (in[0] < 0x81 || in[0] > 0xFE || in[2] < 0x81 || in[2] > 0xFE || in[3] < 0x30 || in[3] > 0x39) return -1;
    unsigned rank = (((in[0] - 0x81u) * 10 + in[1] - 0x30) * 126 + in[2] - 0x81) * 10 + in[3] - 0x30;
    if (rank < RANKS) *out = cjk_gb18030_ranked(rank);
    else if (rank >= FIRST_SUPPLEMENTARY && rank - FIRST_SUPPLEMENTARY <= 0xFFFFF) *out = 0x10000 + rank - FIRST_SUPPLEMENTARY;
    else return -1;
    return 4;
}

static int gb18030_encode(const CjkCodec *codec, CjkState *s, const Py_UCS4 *in, Py_ssize_t left, bool flush, unsigned char *out, int *count)
{
    Py_UCS4 c = *in;
    if (c < 0x80) return cjk_put(out, count, 1, c);
    unsigned code = cjk_encode(&cjk_gb18030, c), rank;
    if (code) return cjk_put(out, count, 2, code);
    int found = c < 0x10000 ? cjk_gb18030_rank(c) : (int)(c - 0x10000 + 15 * 12600);
    if (found < 0) return -1;
    rank = (unsigned)found;
    return cjk_put(out, count, 4, (0x81 + rank / 12600) << 24 | (0x30 + rank / 1260 % 10) << 16 | (0x81 + rank / 10 % 126) << 8 |
                                  (0x30 + rank % 10));
}

/* ---- HZ: GB 2312 in seven bits between ~{ and ~} ----------------------------------------------------------------------------------- */

static int hz_decode(const CjkCodec *codec, CjkState *s, const unsigned char *in, Py_ssize_t left, Py_UCS4 *out, int *count)
{
    *count = 0;
    if (*in == '~') {
        if (left < 2) return CJK_NEED_MORE;
        if (in[1] == '}' && s->c[0]) s->c[0] = 0;
        else if (s->c[0]) return -1;
        else if (in[1] == '{') s->c[0] = 1;
        else if (in[1] == '~') out[(*count)++] = '~';
        else if (in[1] != '\n') return -1;
        return 2;
    }
    if (*in & 0x80) return -1;
    *count = 1;
    if (!s->c[0]) {
        *out = *in;
        return 1;
    }
    if (left < 2) return CJK_NEED_MORE;
    return in[1] < 0x80 && (*out = cjk_decode(&cjk_gb2312, in[0] | 0x80u, in[1] | 0x80u)) ? 2 : -1;
}

static int hz_encode(const CjkCodec *codec, CjkState *s, const Py_UCS4 *in, Py_ssize_t left, bool flush, unsigned char *out, int *count)
{
    if (*in < 0x80) {
        if (s->c[0]) cjk_put(out, count, 2, '~' << 8 | '}');
        s->c[0] = 0;
        if (*in == '~') cjk_put(out, count, 1, '~');
        return cjk_put(out, count, 1, *in);
    }
    unsigned code = cjk_encode(&cjk_gb2312, *in);
    if (!code) return -1;
    if (!s->c[0]) cjk_put(out, count, 2, '~' << 8 | '{');
    s->c[0] = 1;
    return cjk_put(out, count, 2, code & 0x7F7F);
}

static int hz_reset(CjkState *s, unsigned char *out)
{
    int count = 0;
    if (s->c[0]) cjk_put(out, &count, 2, '~' << 8 | '}');
    s->c[0] = 0;
    return count;
}

/* ---- Big5-HKSCS: four codes stand for two characters -------------------------------------------------------------------------------- */

static int hkscs_decode(const CjkCodec *codec, CjkState *s, const unsigned char *in, Py_ssize_t left, Py_UCS4 *out, int *count)
{
    if (left >= 2 && in[0] == 0x88 && (in[1] == 0x62 || in[1] == 0x64 || in[1] == 0xA3 || in[1] == 0xA5)) {
        out[0] = in[1] < 0x80 ? 0xCA : 0xEA;
        out[1] = in[1] == 0x62 || in[1] == 0xA3 ? 0x304 : 0x30C;
        *count = 2;
        return 2;
    }
    return cjk_double_decode(codec, s, in, left, out, count);
}

static int hkscs_encode(const CjkCodec *codec, CjkState *s, const Py_UCS4 *in, Py_ssize_t left, bool flush, unsigned char *out, int *count)
{
    if (*in == 0xCA || *in == 0xEA) {
        if (left < 2 && !flush) return CJK_NEED_MORE;
        if (left >= 2 && (in[1] == 0x304 || in[1] == 0x30C)) {
            cjk_put(out, count, 2, (*in == 0xCA ? 0x8862u : 0x88A3u) + (in[1] == 0x30C ? 2u : 0u));
            return 2;
        }
    }
    return cjk_double_encode(codec, s, in, left, flush, out, count);
}

static const CjkCodec _codecs_cn_codecs[] = {
    { "gb2312", cjk_double_decode, cjk_double_encode, .config = &cjk_gb2312 },
    { "gbk", cjk_double_decode, cjk_double_encode, .config = &cjk_gbk },
    { "gb18030", gb18030_decode, gb18030_encode },
    { "hz", hz_decode, hz_encode, .reset = hz_reset },
    {0},
};
CJK_MODULE(_codecs_cn)

static const CjkCodec _codecs_tw_codecs[] = {
    { "big5", cjk_double_decode, cjk_double_encode, .config = &cjk_big5 },
    { "cp950", cjk_double_decode, cjk_double_encode, .config = &cjk_cp950 },
    {0},
};
CJK_MODULE(_codecs_tw)

static const CjkCodec _codecs_hk_codecs[] = {
    { "big5hkscs", hkscs_decode, hkscs_encode, .config = &cjk_big5hkscs }, {0},
};
CJK_MODULE(_codecs_hk)
