/* East Asian codecs: what a codec is, and the character sets that the codecs combine.
 *
 * A codec converts one unit at a time: a character (or a pair of them) to or from its bytes, or an escape sequence. What surrounds
 * that, error handlers, pending input, streams, is multibytecodec.c. The tables are made at build time (scripts/make_cjk.c). */
#ifndef TAIPAN_CJK_PRIVATE_H
#define TAIPAN_CJK_PRIVATE_H

#include "capi/args.h"
#include "modules/support.h"

enum { CJK_BYTES_MAX = 16, CJK_NEED_MORE = 0 };     /* that one call of encode can write */

typedef struct CjkState { unsigned char c[8]; } CjkState;

typedef struct CjkCodec CjkCodec;
struct CjkCodec {
    const char *name;
    /* The unit at in: bytes taken, with *count characters in out; CJK_NEED_MORE; or -n, n bytes being wrong. */
    int (*decode)(const CjkCodec *codec, CjkState *s, const unsigned char *in, Py_ssize_t left, Py_UCS4 *out, int *count);
    /* The unit at in: characters taken, with *count bytes in out; CJK_NEED_MORE (never when flush); or -n, n characters having no code. */
    int (*encode)(const CjkCodec *codec, CjkState *s, const Py_UCS4 *in, Py_ssize_t left, bool flush, unsigned char *out, int *count);
    void (*init)(CjkState *s, bool decoding);                /* or NULL: zeros */
    int (*reset)(CjkState *s, unsigned char *out);           /* back to the initial state: bytes written; or NULL */
    const void *config;
    bool variant;                                            /* of two codecs with the same functions */
};

/* Two-byte codes. A character is of plane 0, or of plane 2 where the bitmap says so. */
typedef struct CjkTable {
    uint8_t lead_first, lead_last, trail_first, trail_last;
    const uint16_t *decode;
    const uint8_t *plane2;
    unsigned row_count;
    const uint16_t *rows;                                    /* by character >> 8 */
    const uint16_t (*encode)[256];
} CjkTable;

extern const CjkTable cjk_gb2312, cjk_gbk, cjk_gb18030, cjk_big5, cjk_cp950, cjk_big5hkscs, cjk_cp949, cjk_johab, cjk_jisx0208, cjk_jisx0212,
    cjk_jisx0213_1, cjk_jisx0213_2, cjk_cp932;

/* The rank of a character among those with four-byte codes in GB18030; -1: it has none. And back; 0: no such rank. */
int cjk_gb18030_rank(Py_UCS4 c);
Py_UCS4 cjk_gb18030_ranked(unsigned rank);

/* 0: none. */
static inline Py_UCS4 cjk_decode(const CjkTable *t, unsigned lead, unsigned trail)
{
    if (lead < t->lead_first || lead > t->lead_last || trail < t->trail_first || trail > t->trail_last) return 0;
    unsigned i = (lead - t->lead_first) * (unsigned)(t->trail_last - t->trail_first + 1) + trail - t->trail_first;
    Py_UCS4 c = t->decode[i];
    return t->plane2 && t->plane2[i >> 3] >> (i & 7) & 1 ? c | 0x20000 : c;
}

static inline unsigned cjk_encode(const CjkTable *t, Py_UCS4 c)
{
    return c >> 8 < t->row_count ? t->encode[t->rows[c >> 8]][c & 255] : 0;
}

/* JIS X 0213 has 25 codes for two characters each. */
unsigned cjk_pair_code(Py_UCS4 first, Py_UCS4 second);       /* 0: none */
bool cjk_pair_begins(Py_UCS4 first);
bool cjk_pair_of(unsigned code, Py_UCS4 out[2]);
/* Plane 1 (code) or 2 (code & 0x7FFF, bit 15 clear: *plane2 set) in EUC form; 0: none. old: the edition of 2000. */
unsigned cjk_jisx0213_encode(Py_UCS4 c, bool old, bool *plane2);
Py_UCS4 cjk_jisx0213_decode(unsigned lead, unsigned trail, bool plane2, bool old);

/* getcodec() of a module, over its table, which ends with a name of NULL. */
PyObject *cjk_getcodec(const CjkCodec *codecs, PyObject *name);

static inline int cjk_put(unsigned char *out, int *count, int n, unsigned code)
{
    for (int i = 0; i < n; i++) out[(*count)++] = (unsigned char)(code >> 8 * (n - 1 - i));
    return 1;
}

#define CJK_MODULE(module_name)                                                                                                             \
    static PyObject *module_name##_getcodec(PyObject *self, PyObject *name) { return cjk_getcodec(module_name##_codecs, name); }            \
    static PyMethodDef module_name##_methods[] = { { "getcodec", module_name##_getcodec, METH_O, "" }, {0} };                               \
    static PyModuleDef_Slot module_name##_slots[] = { MODULE_SLOTS_COMMON, {0} };                                                           \
    static struct PyModuleDef module_name##_module = {                                                                                      \
        PyModuleDef_HEAD_INIT, .m_name = #module_name, .m_methods = module_name##_methods, .m_slots = module_name##_slots,                  \
    };                                                                                                                                      \
    PyMODINIT_FUNC PyInit_##module_name(void) { return PyModuleDef_Init(&module_name##_module); }

#endif
