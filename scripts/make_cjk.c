/* Makes the tables of the East Asian character sets: asks the C library's iconv what every two-byte code means, corrects that where
 * CPython's codecs differ (exceptions.txt), and writes C arrays for both directions.
 *
 *     make_cjk exceptions.txt cjk_tables.h
 */
#include <errno.h>
#include <iconv.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Set {
    const char *name, *charset;
    unsigned char prefix;                    /* of every code, or 0 */
    unsigned char lead_first, lead_last, trail_first, trail_last;
    uint32_t *decode;                        /* by code: character, 0 for none */
    uint16_t *encode;                        /* by character below 0x30000: code, 0 for none */
} Set;

#define SET(n, c, p, l0, l1, t0, t1) \
    { .name = n, .charset = c, .prefix = p, .lead_first = l0, .lead_last = l1, .trail_first = t0, .trail_last = t1 }

static Set sets[] = {
    SET("gb2312", "EUC-CN", 0, 0xA1, 0xF7, 0xA1, 0xFE),
    SET("gbk", "GBK", 0, 0x81, 0xFE, 0x40, 0xFE),
    SET("gb18030", "GB18030", 0, 0x81, 0xFE, 0x40, 0xFE),
    SET("big5", "BIG5", 0, 0xA1, 0xF9, 0x40, 0xFE),
    SET("cp950", "BIG5", 0, 0xA1, 0xF9, 0x40, 0xFE),
    SET("big5hkscs", "BIG5-HKSCS", 0, 0x87, 0xFE, 0x40, 0xFE),
    SET("cp949", "CP949", 0, 0x81, 0xFD, 0x41, 0xFE),
    SET("johab", "JOHAB", 0, 0x84, 0xF9, 0x31, 0xFE),
    SET("jisx0208", "EUC-JP", 0, 0xA1, 0xF4, 0xA1, 0xFE),
    SET("jisx0212", "EUC-JP", 0x8F, 0xA2, 0xED, 0xA1, 0xFE),
    SET("jisx0213_1", "EUC-JISX0213", 0, 0xA1, 0xFE, 0xA1, 0xFE),
    SET("jisx0213_2", "EUC-JISX0213", 0x8F, 0xA1, 0xFE, 0xA1, 0xFE),
    SET("cp932", "CP932", 0, 0x81, 0xFC, 0x40, 0xFC),
};
enum { SETS = sizeof sets / sizeof *sets };

static void die(const char *what, const char *detail)
{
    fprintf(stderr, "make_cjk: %s %s\n", what, detail);
    exit(1);
}

/* The one character that the bytes stand for; 0: none, several, or one of the private use area that cp932 leaves to arithmetic. */
static uint32_t ask(iconv_t cd, const unsigned char *bytes, size_t n)
{
    uint32_t out[8];
    char *in = (char *)bytes, *to = (char *)out;
    size_t left = n, room = sizeof out;
    iconv(cd, NULL, NULL, NULL, NULL);
    if (iconv(cd, &in, &left, &to, &room) == (size_t)-1 || left) return 0;
    iconv(cd, NULL, NULL, &to, &room);
    return sizeof out - room == 4 ? out[0] : 0;
}

static void fill(Set *s)
{
    iconv_t cd = iconv_open("UCS-4LE", s->charset);
    if (cd == (iconv_t)-1) die("iconv does not know (gconv modules missing?)", s->charset);
    s->decode = calloc(65536, sizeof *s->decode);
    s->encode = calloc(0x30000, sizeof *s->encode);
    if (!s->decode || !s->encode) die("out of memory", "");
    for (unsigned lead = s->lead_first; lead <= s->lead_last; lead++)
        for (unsigned trail = s->trail_first; trail <= s->trail_last; trail++) {
            unsigned char bytes[3] = { s->prefix, (unsigned char)lead, (unsigned char)trail };
            uint32_t c = s->prefix ? ask(cd, bytes, 3) : ask(cd, bytes + 1, 2);
            if (!strcmp(s->name, "cp932") && c >= 0xE000 && c <= 0xF8FF) c = 0;
            s->decode[lead << 8 | trail] = c;
        }
    iconv_close(cd);
}

static void reverse(Set *s)
{
    for (unsigned code = 0; code < 65536; code++) {
        uint32_t c = s->decode[code];
        if (c && c >= 0x10000 && c >> 16 != 2) die("character outside the planes 0 and 2 in", s->name);
        if (c && !s->encode[c]) s->encode[c] = (uint16_t)code;
    }
}

static void except(const char *path, char kind)
{
    char line[200], name[40], what;
    unsigned from, to, count;
    FILE *f = fopen(path, "r");
    if (!f) die("cannot read", path);
    while (fgets(line, sizeof line, f)) {
        if (*line == '#' || *line == '\n') continue;
        if (sscanf(line, "%c %39s %x %x %u", &what, name, &from, &to, &count) != 5) die("bad line:", line);
        if (what != kind) continue;
        Set *s = sets;
        while (s < sets + SETS && strcmp(s->name, name)) s++;
        if (s == sets + SETS) die("no such table:", name);
        for (unsigned i = 0; i < count; i++) {
            if (kind == 'D') s->decode[from + i] = to ? to + i : 0;
            else s->encode[from + i] = (uint16_t)(to ? to + i : 0);
        }
    }
    fclose(f);
}

static void write_decode(FILE *f, Set *s)
{
    int n = 0, plane2 = 0;
    fprintf(f, "static const uint16_t %s_decode[] = {", s->name);
    for (unsigned lead = s->lead_first; lead <= s->lead_last; lead++)
        for (unsigned trail = s->trail_first; trail <= s->trail_last; trail++) {
            uint32_t c = s->decode[lead << 8 | trail];
            plane2 |= c >= 0x10000;
            fprintf(f, "%s%u,", n++ % 24 ? "" : "\n", c & 0xFFFF);
        }
    fprintf(f, "\n};\n");
    if (!plane2) return;
    unsigned char byte = 0;
    n = 0;
    fprintf(f, "static const uint8_t %s_plane2[] = {", s->name);
    for (unsigned lead = s->lead_first; lead <= s->lead_last; lead++)
        for (unsigned trail = s->trail_first; trail <= s->trail_last; trail++) {
            if (s->decode[lead << 8 | trail] >= 0x10000) byte |= (unsigned char)(1 << n % 8);
            if (++n % 8 == 0) {
                fprintf(f, "%s%u,", n % 256 == 8 ? "\n" : "", byte);
                byte = 0;
            }
        }
    fprintf(f, "%u\n};\n", byte);
    fprintf(f, "#define %s_plane2 %s_plane2\n", s->name, s->name);
}

static void write_encode(FILE *f, Set *s)
{
    unsigned page_of[0x300], pages = 1, rows = 0x100;
    for (unsigned row = 0; row < 0x300; row++) {
        page_of[row] = 0;
        for (unsigned c = row << 8; c < (row + 1) << 8; c++)
            if (s->encode[c]) {
                page_of[row] = pages++;
                if (row >= 0x100) rows = 0x300;
                break;
            }
    }
    fprintf(f, "static const uint16_t %s_encode[][256] = {\n{0},\n", s->name);
    for (unsigned row = 0; row < rows; row++) {
        if (!page_of[row]) continue;
        fprintf(f, "{");
        for (unsigned c = row << 8; c < (row + 1) << 8; c++) fprintf(f, "%u,", s->encode[c]);
        fprintf(f, "},\n");
    }
    fprintf(f, "};\nstatic const uint16_t %s_rows[] = {", s->name);
    for (unsigned row = 0; row < rows; row++) fprintf(f, "%s%u,", row % 32 ? "" : "\n", page_of[row]);
    fprintf(f, "\n};\n");
}

/* The characters of the first plane that GB18030's two-byte codes lack have its four-byte codes, in order. */
static void write_ranges(FILE *f, Set *s)
{
    unsigned rank = 0;
    fprintf(f, "static const Gb18030Range gb18030_ranges[] = {\n");
    for (unsigned c = 0x80; c < 0x10000;) {
        unsigned first = c, count = 0;
        while (c < 0x10000 && !s->encode[c] && (c < 0xD800 || c > 0xDFFF)) c++, count++;
        if (count) fprintf(f, "{ %u, %u, %u },\n", first, count, rank);
        rank += count;
        if (!count || c < 0x10000) c++;
    }
    fprintf(f, "};\n");
    if (rank != 39420) die("GB18030 has an unexpected number of two-byte codes", "");
}

int main(int argc, char **argv)
{
    if (argc != 3) die("usage:", "make_cjk exceptions.txt cjk_tables.h");
    for (int i = 0; i < SETS; i++) fill(&sets[i]);
    except(argv[1], 'D');
    for (int i = 0; i < SETS; i++) reverse(&sets[i]);
    except(argv[1], 'E');
    FILE *f = fopen(argv[2], "w");
    if (!f) die("cannot write", argv[2]);
    fprintf(f, "/* Made by make_cjk.c from the C library's iconv. Do not edit. */\n");
    for (int i = 0; i < SETS; i++) {
        write_decode(f, &sets[i]);
        write_encode(f, &sets[i]);
    }
    for (int i = 0; i < SETS; i++) {
        Set *s = &sets[i];
        fprintf(f, "const CjkTable cjk_%s = { %u, %u, %u, %u, %s_decode,\n#ifdef %s_plane2\n%s_plane2,\n#else\nNULL,\n#endif\n"
                   "ARRAY_LENGTH(%s_rows), %s_rows, %s_encode };\n", s->name, s->lead_first, s->lead_last, s->trail_first, s->trail_last,
                s->name, s->name, s->name, s->name, s->name, s->name);
    }
    for (int i = 0; i < SETS; i++)
        if (!strcmp(sets[i].name, "gb18030")) write_ranges(f, &sets[i]);
    return fclose(f) ? 1 : 0;
}
