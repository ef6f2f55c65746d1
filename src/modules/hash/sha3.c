/* The _sha3 module: SHA-3 and SHAKE (FIPS 202), the Keccak-f[1600] sponge. */
#include "hash_object.h"

typedef struct Sponge { uint64_t lane[25]; uint32_t at, rate; unsigned char suffix; } Sponge;

static const uint64_t round_constants[24] = {
    0x0000000000000001, 0x0000000000008082, 0x800000000000808a, 0x8000000080008000, 0x000000000000808b,
    0x0000000080000001, 0x8000000080008081, 0x8000000000008009, 0x000000000000008a, 0x0000000000000088,
    0x0000000080008009, 0x000000008000000a, 0x000000008000808b, 0x800000000000008b, 0x8000000000008089,
    0x8000000000008003, 0x8000000000008002, 0x8000000000000080, 0x000000000000800a, 0x800000008000000a,
    0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008
};
static const unsigned char rotations[24] = { 1, 3, 6, 10, 15, 21, 28, 36, 45, 55, 2, 14, 27, 41, 56, 8, 25, 43, 62, 18, 39, 61, 20, 44 };
static const unsigned char order[24] = { 10, 7, 11, 17, 18, 3, 5, 16, 8, 21, 24, 4, 15, 23, 19, 13, 12, 2, 20, 14, 22, 9, 6, 1 };

static uint64_t rotate(uint64_t x, unsigned n) { return x << n | x >> (64 - n); }

static void permute(uint64_t *a)
{
    for (int round = 0; round < 24; round++) {
        uint64_t c[5];
        for (int x = 0; x < 5; x++) c[x] = a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20];
        for (int x = 0; x < 5; x++) {
            uint64_t d = c[(x + 4) % 5] ^ rotate(c[(x + 1) % 5], 1);
            for (int y = 0; y < 25; y += 5) a[x + y] ^= d;
        }
        uint64_t moving = a[1];
        for (int i = 0; i < 24; i++) {
            uint64_t next = a[order[i]];
            a[order[i]] = rotate(moving, rotations[i]);
            moving = next;
        }
        for (int y = 0; y < 25; y += 5) {
            memcpy(c, a + y, sizeof c);
            for (int x = 0; x < 5; x++) a[x + y] = c[x] ^ (~c[(x + 1) % 5] & c[(x + 2) % 5]);
        }
        a[0] ^= round_constants[round];
    }
}

static void sponge_update(void *state, const unsigned char *data, size_t n)
{
    Sponge *s = state;
    unsigned char *bytes = (unsigned char *)s->lane;
    while (n) {
        size_t take = s->rate - s->at < n ? s->rate - s->at : n;
        for (size_t i = 0; i < take; i++) bytes[s->at + i] ^= data[i];
        s->at += (uint32_t)take;
        data += take;
        n -= take;
        if (s->at == s->rate) {
            permute(s->lane);
            s->at = 0;
        }
    }
}

static void sponge_finish(void *state, unsigned char *digest, size_t n)
{
    Sponge *s = state;
    unsigned char *bytes = (unsigned char *)s->lane;
    bytes[s->at] ^= s->suffix;
    bytes[s->rate - 1] ^= 0x80;
    for (;;) {
        permute(s->lane);
        size_t take = n < s->rate ? n : s->rate;
        memcpy(digest, bytes, take);
        digest += take;
        n -= take;
        if (!n) return;
    }
}

#define KIND(name_, digest, rate_, suffix_)                                                                             \
    static void name_##_start(void *state) { *(Sponge *)state = (Sponge){ .rate = rate_, .suffix = suffix_ }; }         \
    static const HashKind name_##_kind = { #name_, digest, rate_, sizeof(Sponge), name_##_start, sponge_update, sponge_finish,     \
                                           1600 - 8 * rate_, 8 * rate_, suffix_ };

KIND(sha3_224, 28, 144, 0x06)
KIND(sha3_256, 32, 136, 0x06)
KIND(sha3_384, 48, 104, 0x06)
KIND(sha3_512, 64, 72, 0x06)
KIND(shake_128, 0, 168, 0x1f)
KIND(shake_256, 0, 136, 0x1f)

static int sha3_exec(PyObject *module)
{
    static const HashKind *const kinds[] = { &sha3_224_kind, &sha3_256_kind, &sha3_384_kind, &sha3_512_kind, &shake_128_kind, &shake_256_kind };
    static const char *const names[] = { "_sha3.sha3_224", "_sha3.sha3_256", "_sha3.sha3_384", "_sha3.sha3_512", "_sha3.shake_128", "_sha3.shake_256" };
    if (PyModule_AddStringConstant(module, "implementation", "generic") < 0) return -1;
    return hash_add_types(module, kinds, names, 6);
}

HASH_MODULE("_sha3", PyInit__sha3, "SHA-3 and SHAKE message digests.", NULL, sha3_exec)
