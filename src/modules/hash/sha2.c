/* The _sha2 module: SHA-224, SHA-256, SHA-384, SHA-512 (FIPS 180-4). */
#include "hash_blocks.h"

static const uint32_t k256[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be,
    0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa,
    0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85,
    0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3,
    0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f,
    0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2
};
static const uint64_t k512[80] = {
    0x428a2f98d728ae22, 0x7137449123ef65cd, 0xb5c0fbcfec4d3b2f, 0xe9b5dba58189dbbc, 0x3956c25bf348b538, 0x59f111f1b605d019,
    0x923f82a4af194f9b, 0xab1c5ed5da6d8118, 0xd807aa98a3030242, 0x12835b0145706fbe, 0x243185be4ee4b28c, 0x550c7dc3d5ffb4e2,
    0x72be5d74f27b896f, 0x80deb1fe3b1696b1, 0x9bdc06a725c71235, 0xc19bf174cf692694, 0xe49b69c19ef14ad2, 0xefbe4786384f25e3,
    0x0fc19dc68b8cd5b5, 0x240ca1cc77ac9c65, 0x2de92c6f592b0275, 0x4a7484aa6ea6e483, 0x5cb0a9dcbd41fbd4, 0x76f988da831153b5,
    0x983e5152ee66dfab, 0xa831c66d2db43210, 0xb00327c898fb213f, 0xbf597fc7beef0ee4, 0xc6e00bf33da88fc2, 0xd5a79147930aa725,
    0x06ca6351e003826f, 0x142929670a0e6e70, 0x27b70a8546d22ffc, 0x2e1b21385c26c926, 0x4d2c6dfc5ac42aed, 0x53380d139d95b3df,
    0x650a73548baf63de, 0x766a0abb3c77b2a8, 0x81c2c92e47edaee6, 0x92722c851482353b, 0xa2bfe8a14cf10364, 0xa81a664bbc423001,
    0xc24b8b70d0f89791, 0xc76c51a30654be30, 0xd192e819d6ef5218, 0xd69906245565a910, 0xf40e35855771202a, 0x106aa07032bbd1b8,
    0x19a4c116b8d2d0c8, 0x1e376c085141ab53, 0x2748774cdf8eeb99, 0x34b0bcb5e19b48a8, 0x391c0cb3c5c95a63, 0x4ed8aa4ae3418acb,
    0x5b9cca4f7763e373, 0x682e6ff3d6b2b8a3, 0x748f82ee5defb2fc, 0x78a5636f43172f60, 0x84c87814a1f0ab72, 0x8cc702081a6439ec,
    0x90befffa23631e28, 0xa4506cebde82bde9, 0xbef9a3f7b2c67915, 0xc67178f2e372532b, 0xca273eceea26619c, 0xd186b8c721c0c207,
    0xeada7dd6cde0eb1e, 0xf57d4f7fee6ed178, 0x06f067aa72176fba, 0x0a637dc5a2c898a6, 0x113f9804bef90dae, 0x1b710b35131c471b,
    0x28db77f523047d84, 0x32caab7b40c72493, 0x3c9ebe0a15c9bebc, 0x431d67c49c100d4c, 0x4cc5d4becb3e42b6, 0x597f299cfc657e2a,
    0x5fcb6fab3ad6faec, 0x6c44198c4a475817
};

typedef struct Sha256 { uint32_t h[8]; HashBlocks blocks; } Sha256;

static uint32_t rotate32(uint32_t x, unsigned n) { return x >> n | x << (32 - n); }

static void sha256_block(void *state, const unsigned char *p)
{
    Sha256 *s = state;
    uint32_t w[64], v[8];
    for (int i = 0; i < 16; i++) {
        memcpy(&w[i], p + 4 * i, 4);
        w[i] = __builtin_bswap32(w[i]);
    }
    for (int i = 16; i < 64; i++) {
        uint32_t a = w[i - 15], b = w[i - 2];
        w[i] = w[i - 16] + (rotate32(a, 7) ^ rotate32(a, 18) ^ a >> 3) + w[i - 7] + (rotate32(b, 17) ^ rotate32(b, 19) ^ b >> 10);
    }
    memcpy(v, s->h, sizeof v);
    for (int i = 0; i < 64; i++) {
        uint32_t a = v[0], e = v[4];
        uint32_t t1 = v[7] + (rotate32(e, 6) ^ rotate32(e, 11) ^ rotate32(e, 25)) + ((e & v[5]) ^ (~e & v[6])) + k256[i] + w[i];
        uint32_t t2 = (rotate32(a, 2) ^ rotate32(a, 13) ^ rotate32(a, 22)) + ((a & v[1]) ^ (a & v[2]) ^ (v[1] & v[2]));
        memmove(v + 1, v, 7 * sizeof v[0]);
        v[4] += t1;
        v[0] = t1 + t2;
    }
    for (int i = 0; i < 8; i++) s->h[i] += v[i];
}

static void sha256_update(void *state, const unsigned char *data, size_t n)
{
    hash_blocks_update(&((Sha256 *)state)->blocks, 64, sha256_block, state, data, n);
}

static void sha256_finish(void *state, unsigned char *digest, size_t n)
{
    Sha256 *s = state;
    uint64_t bits = __builtin_bswap64(s->blocks.length * 8);
    unsigned char out[32];
    hash_blocks_pad(&s->blocks, 64, sha256_block, s, &bits, 8);
    for (int i = 0; i < 8; i++) {
        uint32_t word = __builtin_bswap32(s->h[i]);
        memcpy(out + 4 * i, &word, 4);
    }
    memcpy(digest, out, n);
}

typedef struct Sha512 { uint64_t h[8]; HashBlocks blocks; } Sha512;

static uint64_t rotate64(uint64_t x, unsigned n) { return x >> n | x << (64 - n); }

static void sha512_block(void *state, const unsigned char *p)
{
    Sha512 *s = state;
    uint64_t w[80], v[8];
    for (int i = 0; i < 16; i++) {
        memcpy(&w[i], p + 8 * i, 8);
        w[i] = __builtin_bswap64(w[i]);
    }
    for (int i = 16; i < 80; i++) {
        uint64_t a = w[i - 15], b = w[i - 2];
        w[i] = w[i - 16] + (rotate64(a, 1) ^ rotate64(a, 8) ^ a >> 7) + w[i - 7] + (rotate64(b, 19) ^ rotate64(b, 61) ^ b >> 6);
    }
    memcpy(v, s->h, sizeof v);
    for (int i = 0; i < 80; i++) {
        uint64_t a = v[0], e = v[4];
        uint64_t t1 = v[7] + (rotate64(e, 14) ^ rotate64(e, 18) ^ rotate64(e, 41)) + ((e & v[5]) ^ (~e & v[6])) + k512[i] + w[i];
        uint64_t t2 = (rotate64(a, 28) ^ rotate64(a, 34) ^ rotate64(a, 39)) + ((a & v[1]) ^ (a & v[2]) ^ (v[1] & v[2]));
        memmove(v + 1, v, 7 * sizeof v[0]);
        v[4] += t1;
        v[0] = t1 + t2;
    }
    for (int i = 0; i < 8; i++) s->h[i] += v[i];
}

static void sha512_update(void *state, const unsigned char *data, size_t n)
{
    hash_blocks_update(&((Sha512 *)state)->blocks, 128, sha512_block, state, data, n);
}

static void sha512_finish(void *state, unsigned char *digest, size_t n)
{
    Sha512 *s = state;
    uint64_t bits[2] = { __builtin_bswap64(s->blocks.length >> 61), __builtin_bswap64(s->blocks.length * 8) };
    unsigned char out[64];
    hash_blocks_pad(&s->blocks, 128, sha512_block, s, bits, 16);
    for (int i = 0; i < 8; i++) {
        uint64_t word = __builtin_bswap64(s->h[i]);
        memcpy(out + 8 * i, &word, 8);
    }
    memcpy(digest, out, n);
}

static void sha224_start(void *state) { *(Sha256 *)state = (Sha256){ .h = { 0xc1059ed8, 0x367cd507, 0x3070dd17, 0xf70e5939, 0xffc00b31, 0x68581511, 0x64f98fa7, 0xbefa4fa4 } }; }
static void sha256_start(void *state) { *(Sha256 *)state = (Sha256){ .h = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 } }; }
static void sha384_start(void *state)
{
    *(Sha512 *)state = (Sha512){ .h = { 0xcbbb9d5dc1059ed8, 0x629a292a367cd507, 0x9159015a3070dd17, 0x152fecd8f70e5939,
                                         0x67332667ffc00b31, 0x8eb44a8768581511, 0xdb0c2e0d64f98fa7, 0x47b5481dbefa4fa4 } };
}
static void sha512_start(void *state)
{
    *(Sha512 *)state = (Sha512){ .h = { 0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
                                         0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179 } };
}

static const HashKind sha224_kind = { "sha224", 28, 64, sizeof(Sha256), sha224_start, sha256_update, sha256_finish, 0, 0, 0 };
static const HashKind sha256_kind = { "sha256", 32, 64, sizeof(Sha256), sha256_start, sha256_update, sha256_finish, 0, 0, 0 };
static const HashKind sha384_kind = { "sha384", 48, 128, sizeof(Sha512), sha384_start, sha512_update, sha512_finish, 0, 0, 0 };
static const HashKind sha512_kind = { "sha512", 64, 128, sizeof(Sha512), sha512_start, sha512_update, sha512_finish, 0, 0, 0 };

HASH_FUNCTION(hashes, sha224, 0)
HASH_FUNCTION(hashes, sha256, 1)
HASH_FUNCTION(hashes, sha384, 2)
HASH_FUNCTION(hashes, sha512, 3)

static PyMethodDef methods[] = { METHOD(hashes, sha224), METHOD(hashes, sha256), METHOD(hashes, sha384), METHOD(hashes, sha512), { 0 } };

static int sha2_exec(PyObject *module)
{
    static const HashKind *const kinds[] = { &sha224_kind, &sha256_kind, &sha384_kind, &sha512_kind };
    static const char *const names[] = { "_sha2.SHA224Type", "_sha2.SHA256Type", "_sha2.SHA384Type", "_sha2.SHA512Type" };
    return hash_add_types(module, kinds, names, 4);
}

HASH_MODULE("_sha2", PyInit__sha2, "SHA-2 message digests.", methods, sha2_exec)
