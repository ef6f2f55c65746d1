/* The _md5 module: MD5 (RFC 1321). */
#include "hash_blocks.h"

typedef struct Md5 { uint32_t h[4]; HashBlocks blocks; } Md5;

static const uint32_t md5_k[64] = {
    0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501, 0x698098d8, 0x8b44f7af, 0xffff5bb1,
    0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821, 0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453,
    0xd8a1e681, 0xe7d3fbc8, 0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a, 0xfffa3942,
    0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70, 0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05,
    0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665, 0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d,
    0x85845dd1, 0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391,
};
static const unsigned char md5_r[16] = { 7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21 };

static uint32_t rotate(uint32_t x, unsigned n) { return x << n | x >> (32 - n); }

static void md5_block(void *state, const unsigned char *p)
{
    Md5 *m = state;
    uint32_t w[16], a = m->h[0], b = m->h[1], c = m->h[2], d = m->h[3];
    memcpy(w, p, 64);                         /* little-endian machines only, as all of Taipan's targets are */
    for (unsigned i = 0; i < 64; i++) {
        uint32_t f;
        unsigned g;
        switch (i / 16) {
        case 0: f = (b & c) | (~b & d); g = i; break;
        case 1: f = (d & b) | (~d & c); g = (5 * i + 1) % 16; break;
        case 2: f = b ^ c ^ d; g = (3 * i + 5) % 16; break;
        default: f = c ^ (b | ~d); g = 7 * i % 16; break;
        }
        uint32_t next = b + rotate(a + f + md5_k[i] + w[g], md5_r[i / 16 * 4 + i % 4]);
        a = d;
        d = c;
        c = b;
        b = next;
    }
    m->h[0] += a;
    m->h[1] += b;
    m->h[2] += c;
    m->h[3] += d;
}

static void md5_start(void *state)
{
    *(Md5 *)state = (Md5){ .h = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476 } };
}

static void md5_update(void *state, const unsigned char *data, size_t n)
{
    hash_blocks_update(&((Md5 *)state)->blocks, 64, md5_block, state, data, n);
}

static void md5_finish(void *state, unsigned char *digest, size_t n)
{
    Md5 *m = state;
    uint64_t bits = m->blocks.length * 8;
    hash_blocks_pad(&m->blocks, 64, md5_block, m, &bits, 8);
    memcpy(digest, m->h, 16);
}

static const HashKind md5_kind = { "md5", 16, 64, sizeof(Md5), md5_start, md5_update, md5_finish, 0, 0, 0 };

HASH_FUNCTION(hashes, md5, 0)

static PyMethodDef methods[] = { METHOD(hashes, md5), { 0 } };

static int md5_exec(PyObject *module)
{
    static const HashKind *const kinds[] = { &md5_kind };
    static const char *const names[] = { "_md5.md5" };
    return hash_add_types(module, kinds, names, 1) < 0 || PyModule_AddObjectRef(module, "MD5Type", (PyObject *)((HashModule *)PyModule_GetState(module))->types[0]) < 0
           || PyModule_AddFunctions(module, methods) < 0 ? -1 : 0;
}

HASH_MODULE("_md5", PyInit__md5, "MD5 message digests.", NULL, md5_exec)
