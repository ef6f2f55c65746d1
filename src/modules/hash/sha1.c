/* The _sha1 module: SHA-1 (FIPS 180-4). */
#include "hash_blocks.h"

typedef struct Sha1 { uint32_t h[5]; HashBlocks blocks; } Sha1;

static uint32_t rotate(uint32_t x, unsigned n) { return x << n | x >> (32 - n); }

static void sha1_block(void *state, const unsigned char *p)
{
    Sha1 *s = state;
    uint32_t w[80], a = s->h[0], b = s->h[1], c = s->h[2], d = s->h[3], e = s->h[4];
    for (int i = 0; i < 16; i++) {
        memcpy(&w[i], p + 4 * i, 4);
        w[i] = __builtin_bswap32(w[i]);
    }
    for (int i = 16; i < 80; i++) w[i] = rotate(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
    for (int i = 0; i < 80; i++) {
        uint32_t f = i < 20 ? ((b & c) | (~b & d)) + 0x5a827999 : i < 40 ? (b ^ c ^ d) + 0x6ed9eba1
                     : i < 60 ? ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc : (b ^ c ^ d) + 0xca62c1d6;
        uint32_t next = rotate(a, 5) + f + e + w[i];
        e = d;
        d = c;
        c = rotate(b, 30);
        b = a;
        a = next;
    }
    s->h[0] += a;
    s->h[1] += b;
    s->h[2] += c;
    s->h[3] += d;
    s->h[4] += e;
}

static void sha1_start(void *state)
{
    *(Sha1 *)state = (Sha1){ .h = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0 } };
}

static void sha1_update(void *state, const unsigned char *data, size_t n)
{
    hash_blocks_update(&((Sha1 *)state)->blocks, 64, sha1_block, state, data, n);
}

static void sha1_finish(void *state, unsigned char *digest, size_t n)
{
    Sha1 *s = state;
    uint64_t bits = __builtin_bswap64(s->blocks.length * 8);
    hash_blocks_pad(&s->blocks, 64, sha1_block, s, &bits, 8);
    for (int i = 0; i < 5; i++) {
        uint32_t word = __builtin_bswap32(s->h[i]);
        memcpy(digest + 4 * i, &word, 4);
    }
}

static const HashKind sha1_kind = { "sha1", 20, 64, sizeof(Sha1), sha1_start, sha1_update, sha1_finish, 0, 0, 0 };

HASH_FUNCTION(hashes, sha1, 0)

static PyMethodDef methods[] = { METHOD(hashes, sha1), { 0 } };

static int sha1_exec(PyObject *module)
{
    static const HashKind *const kinds[] = { &sha1_kind };
    static const char *const names[] = { "_sha1.sha1" };
    return hash_add_types(module, kinds, names, 1) < 0 || PyModule_AddObjectRef(module, "SHA1Type", (PyObject *)((HashModule *)PyModule_GetState(module))->types[0]) < 0
           || PyModule_AddFunctions(module, methods) < 0 ? -1 : 0;
}

HASH_MODULE("_sha1", PyInit__sha1, "SHA-1 message digests.", NULL, sha1_exec)
