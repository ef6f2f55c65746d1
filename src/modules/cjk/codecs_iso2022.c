/* _codecs_iso2022: the ISO-2022 family. Escape sequences designate character sets to G0 to G3; bytes without the high bit then mean the
 * set in G0, or between SO and SI the one in G1; ESC N takes one character from G2.
 *
 * The state: c[0..3] the sets in G0 to G3, c[4] flags. A set is named by the final byte of its escape sequence, with the high bit set
 * when its codes have two bytes. */
#include "cjk_private.h"

enum { ESC = 0x1B, SO = 0x0E, SI = 0x0F, LF = 0x0A, DOUBLE = 0x80 };
enum { SHIFTED = 1, ESCAPE_THROUGHOUT = 2 };
enum { NO_SHIFT = 1, USE_G2 = 2, JISX0208_EXT = 4 };
enum {
    ASCII = 'B', JISX0201_R = 'J', JISX0201_K = 'I', JISX0208 = 'B' | DOUBLE, JISX0208_O = '@' | DOUBLE, JISX0212 = 'D' | DOUBLE,
    JISX0213_2000_1 = 'O' | DOUBLE, JISX0213_2000_2 = 'P' | DOUBLE, JISX0213_2004_1 = 'Q' | DOUBLE, KSX1001 = 'C' | DOUBLE,
    GB2312 = 'A' | DOUBLE, ISO8859_1 = 'A', ISO8859_7 = 'F',
};

typedef struct Designation { uint8_t set, plane; bool pairs_only, old; } Designation;   /* plane: G0, G1 or G2 */
typedef struct Config { unsigned flags; Designation sets[10]; } Config;                   /* in order of preference */

#define FLAGS s->c[4]

/* ---- character sets -------------------------------------------------------------------------------------------------------------------- */

static Py_UCS4 iso8859_7_decode(unsigned byte)
{
    if (byte < 0xA0) return byte;
    if (byte == 0xA1 || byte == 0xA2) return byte - 0xA1 + 0x2018;
    if (byte == 0xAF) return 0x2015;
    if (byte == 0xA4 || byte == 0xA5 || byte == 0xAA || byte == 0xAE || byte == 0xD2 || byte == 0xFF) return 0;
    if (byte < 0xB4 || byte == 0xB7 || byte == 0xBB || byte == 0xBD) return byte;
    return byte + 0x2D0;
}

/* The code without high bits; 0: none. *taken characters of in. */
static unsigned set_encode(const Designation *d, const Py_UCS4 *in, Py_ssize_t left, bool flush, int *taken, bool *need_more)
{
    Py_UCS4 c = *in;
    bool plane2;
    unsigned code = 0;
    *taken = 1;
    switch (d->set) {
    case JISX0201_R: return c == 0xA5 ? 0x5C : c == 0x203E ? 0x7E : 0;
    case JISX0201_K: return c >= 0xFF61 && c <= 0xFF9F ? c - 0xFF61 + 0x21 : 0;
    case JISX0208: code = cjk_encode(&cjk_jisx0208, c); break;
    case JISX0212: code = cjk_encode(&cjk_jisx0212, c); break;
    case GB2312: code = cjk_encode(&cjk_gb2312, c); break;
    case KSX1001:
        code = cjk_encode(&cjk_cp949, c);
        if (code >> 8 < 0xA1 || (code & 255) < 0xA1) code = 0;
        break;
    case JISX0213_2000_1:
    case JISX0213_2004_1:
        if (cjk_pair_begins(c)) {
            if (left >= 2 && (code = cjk_pair_code(in[0], in[1]))) *taken = 2;
            else if (left < 2 && !flush) *need_more = true;
        }
        if (code || *need_more || d->pairs_only || c == 0xFF5E) break;
        code = cjk_jisx0213_encode(c, d->old, &plane2);
        if (plane2) code = 0;
        break;
    case JISX0213_2000_2:
        code = cjk_jisx0213_encode(c, d->old, &plane2);
        if (!plane2) code = 0;
        break;
    default: break;
    }
    return code & 0x7F7F;
}

/* The character of one or two bytes; *count characters in out, 0: none. */
static void set_decode(const Designation *d, const unsigned char *in, Py_UCS4 *out, int *count)
{
    unsigned lead = in[0] | 0x80u, trail = d->set & DOUBLE ? in[1] ^ 0x80u : 0;
    *count = 1;
    switch (d->set) {
    case JISX0201_R: *out = in[0] == 0x5C ? 0xA5 : in[0] == 0x7E ? 0x203E : in[0]; break;
    case JISX0201_K: *out = in[0] >= 0x21 && in[0] <= 0x5F ? in[0] - 0x21u + 0xFF61 : 0; break;
    case JISX0208:
    case JISX0208_O: *out = cjk_decode(&cjk_jisx0208, lead, trail); break;
    case JISX0212: *out = cjk_decode(&cjk_jisx0212, lead, trail); break;
    case GB2312: *out = cjk_decode(&cjk_gb2312, lead, trail); break;
    case KSX1001: *out = lead >= 0xA1 && trail >= 0xA1 ? cjk_decode(&cjk_cp949, lead, trail) : 0; break;
    case JISX0213_2000_1:
    case JISX0213_2004_1:
        if (cjk_pair_of(lead << 8 | trail, out)) {
            *count = 2;
            return;
        }
        *out = lead == 0xA2 && trail == 0xB2 ? '~' : cjk_jisx0213_decode(lead, trail, false, d->old);
        break;
    case JISX0213_2000_2: *out = cjk_jisx0213_decode(lead, trail, true, false); break;
    default: *out = 0;
    }
    if (!*out) *count = 0;
}

static const Designation *find_set(const Config *config, unsigned set)
{
    for (const Designation *d = config->sets; d->set; d++)
        if (d->set == set && !d->pairs_only) return d;
    return NULL;
}

/* ---- encoding ---------------------------------------------------------------------------------------------------------------------------- */

static void iso2022_init(CjkState *s, bool decoding)
{
    memset(s, 0, sizeof *s);
    s->c[0] = s->c[1] = ASCII;
    if (decoding) s->c[2] = ASCII;
}

static void shift_in(CjkState *s, unsigned char *out, int *count)
{
    if (!(FLAGS & SHIFTED)) return;
    cjk_put(out, count, 1, SI);
    FLAGS &= (unsigned char)~SHIFTED;
}

static int iso2022_reset(CjkState *s, unsigned char *out)
{
    int count = 0;
    shift_in(s, out, &count);
    if (s->c[0] != ASCII) cjk_put(out, &count, 3, ESC << 16 | '(' << 8 | 'B');
    s->c[0] = ASCII;
    return count;
}

static void designate(CjkState *s, const Designation *d, unsigned char *out, int *count)
{
    if (s->c[d->plane] == d->set) return;
    s->c[d->plane] = d->set;
    cjk_put(out, count, 1, ESC);
    if (d->set & DOUBLE) cjk_put(out, count, 1, '$');
    if (d->set != JISX0208) cjk_put(out, count, 1, d->plane ? ')' : '(');
    cjk_put(out, count, 1, d->set & 0x7F);
}

/* At most 4 bytes of escape sequence, a shift and 2 bytes of code. */
static int iso2022_encode(const CjkCodec *codec, CjkState *s, const Py_UCS4 *in, Py_ssize_t left, bool flush, unsigned char *out, int *count)
{
    const Config *config = codec->config;
    if (*in < 0x80) {
        if (s->c[0] != ASCII) cjk_put(out, count, 3, ESC << 16 | '(' << 8 | 'B');
        s->c[0] = ASCII;
        shift_in(s, out, count);
        return cjk_put(out, count, 1, *in);
    }
    for (const Designation *d = config->sets; d->set; d++) {
        bool need_more = false;
        int taken;
        if (d->plane > 1) continue;
        unsigned code = set_encode(d, in, left, flush, &taken, &need_more);
        if (need_more) return CJK_NEED_MORE;
        if (!code) continue;
        if (d->plane == 0) shift_in(s, out, count);
        designate(s, d, out, count);
        if (d->plane == 1 && !(FLAGS & SHIFTED)) {
            cjk_put(out, count, 1, SO);
            FLAGS |= SHIFTED;
        }
        cjk_put(out, count, d->set & DOUBLE ? 2 : 1, code);
        return taken;
    }
    return -1;
}

/* ---- decoding ---------------------------------------------------------------------------------------------------------------------------- */

static bool ends_escape(unsigned char c) { return (c >= 'A' && c <= 'Z') || c == '@'; }

/* At in is ESC and one of ( ) $ . & : bytes taken, or -n. */
static int process_escape(const Config *config, CjkState *s, const unsigned char *in, Py_ssize_t left)
{
    enum { ESCAPE_MAX = 16 };
    int length = 0, plane;
    unsigned set;
    for (int i = 1; i < ESCAPE_MAX; i++) {
        if (i >= left) return CJK_NEED_MORE;
        if (ends_escape(in[i])) {
            length = i + 1;
            break;
        }
        if (config->flags & JISX0208_EXT && i + 1 < left && in[i] == '&' && in[i + 1] == '@') i += 2;
    }
    if (length == 0) return -1;
    if (length == 3 && in[1] == '$') {
        set = in[2] | DOUBLE;
        plane = 0;
    } else if (length == 3) {
        set = in[2];
        if (in[1] == '(') plane = 0;
        else if (in[1] == ')') plane = 1;
        else if (config->flags & USE_G2 && in[1] == '.') plane = 2;
        else return -3;
    } else if (length == 4 && in[1] == '$' && (in[2] == '(' || in[2] == ')')) {
        set = in[3] | DOUBLE;
        plane = in[2] == ')';
    } else if (length == 6 && config->flags & JISX0208_EXT && in[3] == ESC && in[4] == '$' && in[5] == 'B') {
        set = JISX0208;                                     /* ESC & @ ESC $ B: the revision of 1990 */
        plane = 0;
    } else {
        return -length;
    }
    if (set != ASCII && !find_set(config, set)) return -length;
    s->c[plane] = (unsigned char)set;
    return length;
}

/* ESC N and a byte: one character of G2. */
static int process_g2(CjkState *s, const unsigned char *in, Py_UCS4 *out, int *count)
{
    *count = 1;
    switch (s->c[2]) {
    case ISO8859_1:
        if (in[2] >= 0x80) return -3;
        *out = in[2] + 0x80u;
        return 3;
    case ISO8859_7: return (*out = iso8859_7_decode(in[2] ^ 0x80u)) ? 3 : -3;
    default:
        *out = in[2];
        return in[2] & 0x80 ? -3 : 3;
    }
}

static int pass_through(const unsigned char *in, Py_UCS4 *out, int *count)
{
    *out = *in;
    *count = 1;
    return 1;
}

static int iso2022_decode(const CjkCodec *codec, CjkState *s, const unsigned char *in, Py_ssize_t left, Py_UCS4 *out, int *count)
{
    const Config *config = codec->config;
    *count = 0;
    if (FLAGS & ESCAPE_THROUGHOUT) {                        /* an unknown sequence is left as it is */
        if (ends_escape(*in)) FLAGS &= (unsigned char)~ESCAPE_THROUGHOUT;
        return pass_through(in, out, count);
    }
    if (*in == ESC) {
        if (left < 2) return CJK_NEED_MORE;
        if (in[1] == '(' || in[1] == ')' || in[1] == '$' || in[1] == '.' || in[1] == '&') return process_escape(config, s, in, left);
        if (config->flags & USE_G2 && in[1] == 'N') return left < 3 ? CJK_NEED_MORE : process_g2(s, in, out, count);
        FLAGS |= ESCAPE_THROUGHOUT;
        return pass_through(in, out, count);
    }
    if ((*in == SI || *in == SO) && !(config->flags & NO_SHIFT)) {
        if (*in == SO) FLAGS |= SHIFTED;
        else FLAGS &= (unsigned char)~SHIFTED;
        return 1;
    }
    if (*in == LF) FLAGS &= (unsigned char)~SHIFTED;
    if (*in < 0x20) return pass_through(in, out, count);
    if (*in >= 0x80) return -1;
    unsigned set = s->c[FLAGS & SHIFTED ? 1 : 0];
    const Designation *d = set == ASCII ? NULL : find_set(config, set);
    if (!d) return pass_through(in, out, count);
    int width = d->set & DOUBLE ? 2 : 1;
    if (left < width) return CJK_NEED_MORE;
    set_decode(d, in, out, count);
    return *count ? width : -width;
}

/* ---- the codecs ---------------------------------------------------------------------------------------------------------------------------- */

static const Config kr = { 0, { { KSX1001, 1 } } };
static const Config jp = { NO_SHIFT | JISX0208_EXT, { { JISX0208 }, { JISX0201_R }, { JISX0208_O } } };
static const Config jp_1 = { NO_SHIFT | JISX0208_EXT, { { JISX0208 }, { JISX0212 }, { JISX0201_R }, { JISX0208_O } } };
static const Config jp_2 = { NO_SHIFT | USE_G2 | JISX0208_EXT, { { JISX0208 }, { JISX0212 }, { KSX1001 }, { GB2312 }, { JISX0201_R },
                             { JISX0208_O }, { ISO8859_1, 2 }, { ISO8859_7, 2 } } };
static const Config jp_2004 = { NO_SHIFT | JISX0208_EXT, { { JISX0213_2004_1, 0, .pairs_only = true }, { JISX0208 }, { JISX0213_2004_1 },
                                { JISX0213_2000_2 } } };
static const Config jp_3 = { NO_SHIFT | JISX0208_EXT, { { JISX0213_2000_1, 0, .pairs_only = true, .old = true }, { JISX0208 },
                             { JISX0213_2000_1, 0, .old = true }, { JISX0213_2000_2, 0, .old = true } } };
static const Config jp_ext = { NO_SHIFT | JISX0208_EXT, { { JISX0208 }, { JISX0212 }, { JISX0201_R }, { JISX0201_K }, { JISX0208_O } } };

#define ISO2022(name, configuration) { name, iso2022_decode, iso2022_encode, iso2022_init, iso2022_reset, &configuration, false }
static const CjkCodec _codecs_iso2022_codecs[] = {
    ISO2022("iso2022_kr", kr), ISO2022("iso2022_jp", jp), ISO2022("iso2022_jp_1", jp_1), ISO2022("iso2022_jp_2", jp_2),
    ISO2022("iso2022_jp_2004", jp_2004), ISO2022("iso2022_jp_3", jp_3), ISO2022("iso2022_jp_ext", jp_ext), {0},
};
CJK_MODULE(_codecs_iso2022)
