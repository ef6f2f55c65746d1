/* Host tool: makes the tables of the Unicode database from the files of Debian's unicode-data.
 *
 *     make_unicode DIRECTORY CTYPE_OUT DATABASE_OUT NAMES_OUT
 *
 * CTYPE_OUT is for objects/unicode_data.c (what str needs), DATABASE_OUT for modules/unicodedata.c, NAMES_OUT for
 * objects/unicode_names.c. Tables indexed by character have two stages: an index of blocks, and the distinct blocks. */
#include <assert.h>
#include <bzlib.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX = 0x110000, SHIFT = 7, BLOCK = 1 << SHIFT };

typedef struct Char {
    bool assigned, in_range;                                /* in_range: from a First..Last pair, has no name of its own */
    char category[3], bidi[5], width[3], numeric[24];
    char *name;
    int combining, mirrored;
    char *decomposition;
    int decimal, digit;                                     /* -1: none */
    uint32_t upper, lower, title;                           /* 0: none */
    int age;                                                /* major * 256 + minor */
    unsigned quick_check;
    bool line_break, excluded, lowercase, uppercase, xid_start, xid_continue, case_ignorable, cased;
    int fold_length, special;                               /* special: index into specials + 1 */
    uint32_t fold[3];
} Char;

typedef struct Special { int n[3]; uint32_t c[3][3]; } Special;    /* lower, title, upper */

static Char chars[MAX];
static Special specials[512];
static int special_count;
static const char *directory;

static void die(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    exit(1);
}

static void *need(void *p)
{
    if (!p) die("make_unicode: no memory");
    return p;
}

/* ---- reading -------------------------------------------------------------------------------------------------------- */

static FILE *open_file(const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *f = fopen(path, "r");
    if (!f) die("make_unicode: cannot read %s", path);
    return f;
}

static char *strip(char *s)
{
    while (*s == ' ' || *s == '\t') s++;
    char *end = s + strlen(s);
    while (end > s && strchr(" \t\r\n", end[-1])) *--end = 0;
    return s;
}

/* Fields between ';', stripped; the comment is cut off. Returns their number, 0 for an empty line. */
static int split(char *line, char **field, int max)
{
    char *hash = strchr(line, '#');
    if (hash) *hash = 0;
    if (!*strip(line)) return 0;
    int n = 0;
    for (char *p = line; p && n < max;) {
        char *next = strchr(p, ';');
        if (next) *next++ = 0;
        field[n++] = strip(p);
        p = next;
    }
    return n;
}

static void range_of(const char *text, uint32_t *first, uint32_t *last)
{
    char *end;
    *first = *last = (uint32_t)strtoul(text, &end, 16);
    if (strncmp(end, "..", 2) == 0) *last = (uint32_t)strtoul(end + 2, NULL, 16);
}

static int codes_of(char *text, uint32_t *out, int max)
{
    int n = 0;
    for (char *p = strtok(text, " "); p && n < max; p = strtok(NULL, " ")) out[n++] = (uint32_t)strtoul(p, NULL, 16);
    return n;
}

static void set_char(Char *c, char **f)
{
    c->assigned = true;
    snprintf(c->category, sizeof c->category, "%s", f[2]);
    c->combining = atoi(f[3]);
    snprintf(c->bidi, sizeof c->bidi, "%s", f[4]);
    c->decomposition = *f[5] ? need(strdup(f[5])) : NULL;
    c->decimal = *f[6] ? atoi(f[6]) : -1;
    c->digit = *f[7] ? atoi(f[7]) : -1;
    snprintf(c->numeric, sizeof c->numeric, "%s", f[8]);
    c->mirrored = *f[9] == 'Y';
    c->upper = (uint32_t)strtoul(f[12], NULL, 16);
    c->lower = (uint32_t)strtoul(f[13], NULL, 16);
    c->title = *f[14] ? (uint32_t)strtoul(f[14], NULL, 16) : c->upper;
}

static uint32_t ideographs[64][2];                          /* ranges of unified ideographs */
static int ideograph_count;

static void read_unicode_data(void)
{
    FILE *f = open_file("UnicodeData.txt");
    char line[4096], *field[15];
    uint32_t first = 0;
    for (uint32_t c = 0; c < MAX; c++) chars[c].decimal = chars[c].digit = -1;
    while (fgets(line, sizeof line, f)) {
        if (split(line, field, 15) < 15) continue;
        uint32_t c = (uint32_t)strtoul(field[0], NULL, 16);
        set_char(&chars[c], field);
        size_t n = strlen(field[1]);
        if (n > 8 && strcmp(field[1] + n - 8, ", First>") == 0) first = c;
        else if (n > 7 && strcmp(field[1] + n - 7, ", Last>") == 0) {
            for (uint32_t i = first; i <= c; i++) {
                set_char(&chars[i], field);
                chars[i].in_range = true;
            }
            if (strncmp(field[1], "<CJK Ideograph", 14) == 0) {
                ideographs[ideograph_count][0] = first;
                ideographs[ideograph_count++][1] = c;
            }
        }
        else if (field[1][0] != '<') chars[c].name = need(strdup(field[1]));
    }
    fclose(f);
}

typedef void Setter(Char *c, const char *value, const char *extra);

/* Files whose lines are "code or range; value [; extra]". */
static void read_properties(const char *name, Setter *set)
{
    FILE *f = open_file(name);
    char line[4096], *field[3];
    while (fgets(line, sizeof line, f)) {
        int n = split(line, field, 3);
        uint32_t first, last;
        if (n < 1 || strchr(field[0], '@')) continue;
        range_of(field[0], &first, &last);
        for (uint32_t c = first; c <= last; c++) set(&chars[c], n > 1 ? field[1] : "", n > 2 ? field[2] : "");
    }
    fclose(f);
}

static void set_width(Char *c, const char *v, const char *extra) { (void)extra; snprintf(c->width, sizeof c->width, "%s", v); }
static void set_excluded(Char *c, const char *v, const char *extra) { (void)v; (void)extra; c->excluded = true; }
static void set_age(Char *c, const char *v, const char *extra) { (void)extra; c->age = atoi(v) * 256 + atoi(strchr(v, '.') + 1); }

static void set_line_break(Char *c, const char *v, const char *extra)
{
    (void)extra;
    c->line_break = !strcmp(v, "BK") || !strcmp(v, "CR") || !strcmp(v, "LF") || !strcmp(v, "NL");
}

static void set_core(Char *c, const char *v, const char *extra)
{
    (void)extra;
    if (!strcmp(v, "Lowercase")) c->lowercase = true;
    else if (!strcmp(v, "Uppercase")) c->uppercase = true;
    else if (!strcmp(v, "XID_Start")) c->xid_start = true;
    else if (!strcmp(v, "XID_Continue")) c->xid_continue = true;
    else if (!strcmp(v, "Case_Ignorable")) c->case_ignorable = true;
    else if (!strcmp(v, "Cased")) c->cased = true;
}

static void set_quick_check(Char *c, const char *v, const char *extra)
{
    static const char *const names[] = { "NFD_QC", "NFKD_QC", "NFC_QC", "NFKC_QC" };
    for (int i = 0; i < 4; i++) {
        if (strcmp(v, names[i])) continue;
        c->quick_check |= (extra[0] == 'N' ? 2u : extra[0] == 'M' ? 1u : 0u) << (2 * i);
    }
}

static void read_special_casing(void)
{
    FILE *f = open_file("SpecialCasing.txt");
    char line[4096], *field[6];
    while (fgets(line, sizeof line, f)) {
        int n = split(line, field, 6);
        if (n < 4 || (n > 4 && *field[4])) continue;       /* conditional ones depend on language, or are the final sigma */
        uint32_t c = (uint32_t)strtoul(field[0], NULL, 16);
        Special *s = &specials[special_count++];
        for (int i = 0; i < 3; i++) s->n[i] = codes_of(field[1 + i], s->c[i], 3);
        chars[c].special = special_count;
    }
    fclose(f);
    f = open_file("CaseFolding.txt");
    while (fgets(line, sizeof line, f)) {
        if (split(line, field, 6) < 3 || (field[1][0] != 'C' && field[1][0] != 'F')) continue;
        Char *c = &chars[strtoul(field[0], NULL, 16)];
        c->fold_length = codes_of(field[2], c->fold, 3);
    }
    fclose(f);
}

static void read_unihan(void)
{
    char path[4096], line[4096];
    snprintf(path, sizeof path, "bzip2 -dc '%s/Unihan_NumericValues.txt.bz2'", directory);
    snprintf(path, sizeof path, "%s/Unihan_NumericValues.txt.bz2", directory);
    FILE *f = fopen(path, "rb");
    if (!f) die("make_unicode: cannot read %s", path);
    int error;
    BZFILE *bz = BZ2_bzReadOpen(&error, f, 0, 0, NULL, 0);
    size_t size = 1 << 20, used = 0;
    char *text = need(malloc(size + 1));
    while (error == BZ_OK) {
        if (size - used < 65536) text = need(realloc(text, (size *= 2) + 1));
        used += (size_t)BZ2_bzRead(&error, bz, text + used, 65536);
    }
    if (error != BZ_STREAM_END) die("make_unicode: %s is damaged", path);
    text[used] = 0;
    for (char *p = text; *p;) {
        char *end = strchr(p, '\n'), key[64], value[64];
        size_t n = end ? (size_t)(end - p) : strlen(p);
        unsigned code;
        snprintf(line, sizeof line, "%.*s", (int)(n < sizeof line ? n : sizeof line - 1), p);
        if (sscanf(line, "U+%x\t%63[^\t]\t%63s", &code, key, value) == 3 && code < MAX &&
            (!strcmp(key, "kAccountingNumeric") || !strcmp(key, "kOtherNumeric") || !strcmp(key, "kPrimaryNumeric")))
            snprintf(chars[code].numeric, sizeof chars[code].numeric, "%s", value);
        if (!end) break;
        p = end + 1;
    }
    free(text);
    BZ2_bzReadClose(&error, bz);
    fclose(f);
}

/* ---- writing --------------------------------------------------------------------------------------------------------- */

static FILE *out;

static void numbers(const char *type, const char *name, const uint32_t *v, size_t n)
{
    fprintf(out, "%s %s[%zu] = {", type, name, n);
    for (size_t i = 0; i < n; i++) fprintf(out, "%s%u,", i % 24 ? "" : "\n", v[i]);
    fprintf(out, "\n};\n");
}

/* Two stages of a table over all characters. */
static void two_stage(const char *linkage, const char *name, const char *type2, const uint32_t *value)
{
    static uint32_t index[MAX / BLOCK], blocks[MAX];
    char full[128], type[64];
    size_t count = 0;
    for (size_t b = 0; b < MAX / BLOCK; b++) {
        size_t i = 0;
        while (i < count && memcmp(blocks + i * BLOCK, value + b * BLOCK, BLOCK * sizeof *value)) i++;
        if (i == count) memcpy(blocks + count++ * BLOCK, value + b * BLOCK, BLOCK * sizeof *value);
        index[b] = (uint32_t)i;
    }
    snprintf(full, sizeof full, "%s_index1", name);
    snprintf(type, sizeof type, "%sconst uint16_t", linkage);
    numbers(type, full, index, MAX / BLOCK);
    snprintf(full, sizeof full, "%s_index2", name);
    snprintf(type, sizeof type, "%sconst %s", linkage, type2);
    numbers(type, full, blocks, count * BLOCK);
}

enum {                                                     /* as in objects/unicode_data.h */
    ALPHA = 1 << 0, DECIMAL = 1 << 1, DIGIT = 1 << 2, LOWER = 1 << 3, LINEBREAK = 1 << 4, SPACE = 1 << 5, TITLE = 1 << 6,
    UPPER = 1 << 7, XID_START = 1 << 8, XID_CONTINUE = 1 << 9, PRINTABLE = 1 << 10, NUMERIC = 1 << 11, CASE_IGNORABLE = 1 << 12,
    CASED = 1 << 13, EXTENDED_CASE = 1 << 14,
};

typedef struct Record { int32_t upper, lower, title; int decimal, digit; unsigned flags; } Record;

static Record records[4096];
static uint32_t record_count, extended[4096], extended_count;

static uint32_t add_extended(const uint32_t *c, int n)
{
    uint32_t at = extended_count;
    for (int i = 0; i < n; i++) extended[extended_count++] = c[i];
    return at;
}

static bool is(const char *a, const char *b) { return strcmp(a, b) == 0; }

static Record record_of(uint32_t code)
{
    const Char *c = &chars[code];
    Record r = { 0 };
    if (!c->assigned) {
        if (c->xid_start) r.flags |= XID_START;            /* none, in practice */
        return r;
    }
    if (c->category[0] == 'L') r.flags |= ALPHA;
    if (c->lowercase) r.flags |= LOWER;
    if (c->uppercase) r.flags |= UPPER;
    if (c->line_break || is(c->bidi, "B")) r.flags |= LINEBREAK;
    if (is(c->category, "Zs") || is(c->bidi, "WS") || is(c->bidi, "B") || is(c->bidi, "S")) r.flags |= SPACE;
    if (is(c->category, "Lt")) r.flags |= TITLE;
    if (code == ' ' || (c->category[0] != 'C' && c->category[0] != 'Z')) r.flags |= PRINTABLE;
    if (c->xid_start) r.flags |= XID_START;
    if (c->xid_continue) r.flags |= XID_CONTINUE;
    if (c->case_ignorable) r.flags |= CASE_IGNORABLE;
    if (c->cased) r.flags |= CASED;
    if (c->decimal >= 0) r.flags |= DECIMAL, r.decimal = c->decimal;
    if (c->digit >= 0) r.flags |= DIGIT, r.digit = c->digit;
    if (*c->numeric) r.flags |= NUMERIC;
    uint32_t upper = c->upper ? c->upper : code, lower = c->lower ? c->lower : code, title = c->title ? c->title : upper;
    const uint32_t *fold = c->fold_length ? c->fold : &code;
    int fold_length = c->fold_length ? c->fold_length : 1;
    Special s = { { 1, 1, 1 }, { { lower }, { title }, { upper } } };
    if (!c->special && fold_length == 1 && fold[0] == lower) {
        r.upper = (int32_t)(upper - code);
        r.lower = (int32_t)(lower - code);
        r.title = (int32_t)(title - code);
        return r;
    }
    if (c->special) s = specials[c->special - 1];
    r.flags |= EXTENDED_CASE;
    r.lower = (int32_t)(add_extended(s.c[0], s.n[0]) | (uint32_t)s.n[0] << 24);
    if (fold_length != s.n[0] || memcmp(fold, s.c[0], (size_t)fold_length * sizeof *fold)) {
        r.lower |= fold_length << 20;
        add_extended(fold, fold_length);
    }
    r.upper = (int32_t)(add_extended(s.c[2], s.n[2]) | (uint32_t)s.n[2] << 24);
    r.title = (int32_t)(add_extended(s.c[1], s.n[1]) | (uint32_t)s.n[1] << 24);
    return r;
}

static void write_ctype(void)
{
    static uint32_t value[MAX];
    record_count = 1;                                      /* 0: nothing known */
    for (uint32_t c = 0; c < MAX; c++) {
        Record r = record_of(c);
        uint32_t i = 0;
        while (i < record_count && memcmp(&records[i], &r, sizeof r)) i++;
        if (i == record_count) records[record_count++] = r;
        value[c] = i;
    }
    fprintf(out, "const CharRecord unicode_records[%u] = {\n", record_count);
    for (uint32_t i = 0; i < record_count; i++) {
        Record *r = &records[i];
        fprintf(out, "{%d,%d,%d,%d,%d,%u},%s", r->upper, r->lower, r->title, r->decimal, r->digit, r->flags, i % 8 == 7 ? "\n" : "");
    }
    fprintf(out, "\n};\n");
    numbers("static const uint32_t", "extended_case", extended, extended_count);
    two_stage("", "unicode_record", "uint16_t", value);
    fprintf(out, "static const struct { uint32_t code; double value; } numeric_values[] = {\n");
    for (uint32_t c = 0; c < MAX; c++) {
        if (!*chars[c].numeric) continue;
        char *slash = strchr(chars[c].numeric, '/');
        if (slash) fprintf(out, "{0x%x,(double)%.*s/%s},\n", c, (int)(slash - chars[c].numeric), chars[c].numeric, slash + 1);
        else fprintf(out, "{0x%x,%s.0},\n", c, chars[c].numeric);
    }
    fprintf(out, "};\n");
}

static const char *const categories[] = {
    "Cn", "Lu", "Ll", "Lt", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Zs", "Zl", "Zp", "Cc", "Cf", "Cs", "Co", "Lm", "Lo", "Pc", "Pd",
    "Ps", "Pe", "Pi", "Pf", "Po", "Sm", "Sc", "Sk", "So",
};
static const char *const bidis[] = {
    "", "L", "LRE", "LRO", "R", "AL", "RLE", "RLO", "PDF", "EN", "ES", "ET", "AN", "CS", "NSM", "BN", "B", "S", "WS", "ON", "LRI",
    "RLI", "FSI", "PDI",
};
static const char *const widths[] = { "F", "H", "W", "Na", "A", "N" };

static unsigned find(const char *const *names, unsigned n, const char *name)
{
    for (unsigned i = 0; i < n; i++) if (is(names[i], name)) return i;
    die("make_unicode: unknown property value %s", name);
    return 0;
}

#define COUNT(a) (unsigned)(sizeof(a) / sizeof(a)[0])

static void strings(const char *name, const char *const *s, unsigned n)
{
    fprintf(out, "static const char *const %s[] = {", name);
    for (unsigned i = 0; i < n; i++) fprintf(out, "\"%s\",", s[i]);
    fprintf(out, "};\n");
}

static int compare_pairs(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;
    return x[0] != y[0] ? (x[0] < y[0] ? -1 : 1) : x[1] != y[1] ? (x[1] < y[1] ? -1 : 1) : 0;
}

static void write_decompositions(void)
{
    static uint32_t value[MAX], data[65536], pairs[4096][3];
    static const char *tags[64];
    uint32_t used = 1, tag_count = 1, pair_count = 0;
    tags[0] = "";
    for (uint32_t c = 0; c < MAX; c++) {
        if (!chars[c].decomposition) continue;
        char *text = need(strdup(chars[c].decomposition)), *p = text, *tag = "";
        if (*p == '<') {
            tag = p;
            p = strchr(p, ' ');
            *p++ = 0;
        }
        uint32_t t = 0, codes[20];
        while (t < tag_count && !is(tags[t], tag)) t++;
        if (t == tag_count) tags[tag_count++] = need(strdup(tag));
        int n = codes_of(p, codes, 20);
        value[c] = used;
        data[used++] = (uint32_t)n << 8 | t;
        for (int i = 0; i < n; i++) data[used++] = codes[i];
        if (t == 0 && n == 2 && !chars[c].excluded && chars[codes[0]].combining == 0) {
            pairs[pair_count][0] = codes[0];
            pairs[pair_count][1] = codes[1];
            pairs[pair_count++][2] = c;
        }
        free(text);
    }
    strings("decomposition_tags", tags, tag_count);
    numbers("static const uint32_t", "decomposition_data", data, used);
    two_stage("static ", "decomposition", "uint16_t", value);
    qsort(pairs, pair_count, sizeof pairs[0], compare_pairs);
    fprintf(out, "enum { COMPOSITION_COUNT = %u };\nstatic const uint32_t compositions[][3] = {\n", pair_count);
    for (uint32_t i = 0; i < pair_count; i++) fprintf(out, "{0x%x,0x%x,0x%x},\n", pairs[i][0], pairs[i][1], pairs[i][2]);
    fprintf(out, "};\n");
}

static void write_database(void)
{
    static uint32_t value[MAX];
    static struct { unsigned category, combining, bidi, mirrored, width, quick_check, new; } db[2048], r;
    uint32_t count = 0;
    strings("category_names", categories, COUNT(categories));
    strings("bidirectional_names", bidis, COUNT(bidis));
    strings("east_asian_width_names", widths, COUNT(widths));
    for (uint32_t c = 0; c < MAX; c++) {
        memset(&r, 0, sizeof r);
        if (chars[c].assigned) {
            r.category = find(categories, COUNT(categories), chars[c].category);
            r.bidi = find(bidis, COUNT(bidis), chars[c].bidi);
            r.combining = (unsigned)chars[c].combining;
            r.mirrored = (unsigned)chars[c].mirrored;
            r.quick_check = chars[c].quick_check;
            r.new = chars[c].age > 3 * 256 + 2;
        }
        r.width = find(widths, COUNT(widths), *chars[c].width ? chars[c].width : "N");
        uint32_t i = 0;
        while (i < count && memcmp(&db[i], &r, sizeof r)) i++;
        if (i == count) memcpy(&db[count++], &r, sizeof r);
        value[c] = i;
    }
    fprintf(out, "static const struct { uint8_t category, combining, bidirectional, mirrored, east_asian_width, quick_check, since_3_2; } "
                 "database[%u] = {\n", count);
    for (uint32_t i = 0; i < count; i++)
        fprintf(out, "{%u,%u,%u,%u,%u,%u,%u},%s", db[i].category, db[i].combining, db[i].bidi, db[i].mirrored, db[i].width, db[i].quick_check,
                db[i].new, i % 8 == 7 ? "\n" : "");
    fprintf(out, "\n};\n");
    two_stage("static ", "database", "uint16_t", value);
    write_decompositions();
}

/* ---- names ------------------------------------------------------------------------------------------------------------- */

/* A name is a count of words and their numbers: one byte below ONE_BYTE, two otherwise. The commonest words come first. */
enum { ONE_BYTE = 192, HASH_SIZE = 1 << 16, WORD_HASH = 1 << 16, ALIAS = 0x110000, SEQUENCE = 0x120000 };

typedef struct Word { char *text; int uses, number; } Word;
static Word *words, *word_table[WORD_HASH];
static int word_count;

static uint32_t hash_of(const char *s, size_t n)
{
    uint32_t h = 2166136261u;
    while (n--) h = (h ^ (unsigned char)*s++) * 16777619u;
    return h ^ h >> 15;
}

static Word *word_of(const char *s, size_t n)
{
    for (uint32_t i = hash_of(s, n) & (WORD_HASH - 1);; i = (i + 1) & (WORD_HASH - 1)) {
        Word *w = word_table[i];
        if (!w) {
            w = word_table[i] = &words[word_count++];
            w->text = need(strndup(s, n));
            return w;
        }
        if (strlen(w->text) == n && !memcmp(w->text, s, n)) return w;
    }
}

static int split_words(const char *name, Word **list)
{
    int n = 0;
    while (*name) {
        size_t length = strcspn(name, " ");
        list[n++] = word_of(name, length);
        name += length;
        if (*name) name++;
    }
    return n;
}

static int by_uses(const void *a, const void *b)
{
    const Word *x = *(Word *const *)a, *y = *(Word *const *)b;
    return x->uses != y->uses ? y->uses - x->uses : strcmp(x->text, y->text);
}

static uint32_t *encoded, encoded_count;

static uint32_t encode(const char *name)
{
    Word *list[64];
    int n = split_words(name, list);
    uint32_t at = encoded_count;
    encoded[encoded_count++] = (uint32_t)n;
    for (int i = 0; i < n; i++) {
        int number = list[i]->number;
        if (number < ONE_BYTE) encoded[encoded_count++] = (uint32_t)number;
        else {
            encoded[encoded_count++] = ONE_BYTE + (uint32_t)((number - ONE_BYTE) >> 8);
            encoded[encoded_count++] = (uint32_t)(number - ONE_BYTE) & 255;
        }
    }
    return at;
}

static uint32_t hash_table[HASH_SIZE];

static void hash_add(const char *name, uint32_t code)
{
    uint32_t i = hash_of(name, strlen(name)) & (HASH_SIZE - 1);
    while (hash_table[i]) i = (i + 1) & (HASH_SIZE - 1);
    hash_table[i] = code + 1;
}

typedef struct Extra { char *name; uint32_t code[4]; int n; } Extra;
static Extra aliases[2048], sequences[2048];
static int alias_count, sequence_count;

static void read_extra_names(void)
{
    char line[4096], *field[3];
    FILE *f = open_file("NameAliases.txt");
    while (fgets(line, sizeof line, f)) {
        if (split(line, field, 3) < 3) continue;
        Extra *e = &aliases[alias_count++];
        e->name = need(strdup(field[1]));
        e->code[0] = (uint32_t)strtoul(field[0], NULL, 16);
        e->n = 1;
    }
    fclose(f);
    f = open_file("NamedSequences.txt");
    while (fgets(line, sizeof line, f)) {
        if (split(line, field, 3) < 2) continue;
        Extra *e = &sequences[sequence_count++];
        e->name = need(strdup(field[0]));
        e->n = codes_of(field[1], e->code, 4);
    }
    fclose(f);
}

static void write_extra(const char *name, Extra *list, int n)
{
    fprintf(out, "enum { %s_COUNT = %d };\nstatic const struct { uint32_t name, code[4]; uint8_t length; } %s[] = {\n", name, n, name);
    for (int i = 0; i < n; i++)
        fprintf(out, "{%u,{0x%x,0x%x,0x%x,0x%x},%d},\n", encode(list[i].name), list[i].code[0], list[i].code[1], list[i].code[2],
                list[i].code[3], list[i].n);
    fprintf(out, "};\n");
}

static void count_words(const char *name)
{
    Word *list[64];
    for (int i = split_words(name, list); i-- > 0;) list[i]->uses++;
}

static void write_names(void)
{
    static uint32_t value[MAX];
    words = need(calloc(WORD_HASH, sizeof *words));
    encoded = need(calloc(1 << 20, sizeof *encoded));
    encoded_count = 1;                                     /* 0: no name */
    read_extra_names();
    for (uint32_t c = 0; c < MAX; c++) if (chars[c].name) count_words(chars[c].name);
    for (int i = 0; i < alias_count; i++) count_words(aliases[i].name);
    for (int i = 0; i < sequence_count; i++) count_words(sequences[i].name);
    Word **order = need(malloc((size_t)word_count * sizeof *order));
    for (int i = 0; i < word_count; i++) order[i] = &words[i];
    qsort(order, (size_t)word_count, sizeof *order, by_uses);
    if (word_count > ONE_BYTE + (256 - ONE_BYTE) * 256) die("make_unicode: %d different words in names", word_count);
    fprintf(out, "enum { ONE_BYTE = %d, HASH_SIZE = %d, ALIAS = 0x%x, SEQUENCE = 0x%x };\n", ONE_BYTE, HASH_SIZE, ALIAS, SEQUENCE);
    uint32_t *offset = need(calloc((size_t)word_count + 1, sizeof *offset)), at = 0;
    fprintf(out, "static const char word_text[] =\n");
    for (int i = 0; i < word_count; i++) {
        order[i]->number = i;
        offset[i] = at;
        at += (uint32_t)strlen(order[i]->text);
        fprintf(out, "\"%s\"%s", order[i]->text, i % 12 == 11 ? "\n" : "");
    }
    offset[word_count] = at;
    fprintf(out, ";\n");
    numbers("static const uint32_t", "word_offset", offset, (size_t)word_count + 1);
    for (uint32_t c = 0; c < MAX; c++) {
        if (!chars[c].name) continue;
        value[c] = encode(chars[c].name);
        hash_add(chars[c].name, c);
    }
    for (int i = 0; i < alias_count; i++) hash_add(aliases[i].name, ALIAS + (uint32_t)i);
    for (int i = 0; i < sequence_count; i++) hash_add(sequences[i].name, SEQUENCE + (uint32_t)i);
    write_extra("name_aliases", aliases, alias_count);
    write_extra("named_sequences", sequences, sequence_count);
    numbers("static const uint8_t", "encoded_names", encoded, encoded_count);
    numbers("static const uint32_t", "name_hash", hash_table, HASH_SIZE);
    two_stage("static ", "name", "uint32_t", value);
    fprintf(out, "static const uint32_t ideograph_ranges[][2] = {");
    for (int i = 0; i < ideograph_count; i++) fprintf(out, "{0x%x,0x%x},", ideographs[i][0], ideographs[i][1]);
    fprintf(out, "};\n");
}

static void write_file(const char *path, void (*write)(void))
{
    if (!(out = fopen(path, "w"))) die("make_unicode: cannot write %s", path);
    fprintf(out, "/* Made by scripts/make_unicode.c from the Unicode Character Database. */\n");
    write();
    if (fclose(out) != 0) die("make_unicode: cannot write %s", path);
}

int main(int argc, char **argv)
{
    if (argc != 5) die("usage: make_unicode DIRECTORY CTYPE_OUT DATABASE_OUT NAMES_OUT");
    directory = argv[1];
    read_unicode_data();
    read_properties("EastAsianWidth.txt", set_width);
    read_properties("CompositionExclusions.txt", set_excluded);
    read_properties("DerivedAge.txt", set_age);
    read_properties("LineBreak.txt", set_line_break);
    read_properties("DerivedCoreProperties.txt", set_core);
    read_properties("DerivedNormalizationProps.txt", set_quick_check);
    read_special_casing();
    read_unihan();
    write_file(argv[2], write_ctype);
    write_file(argv[3], write_database);
    write_file(argv[4], write_names);
    return 0;
}
