/* Hashing of bytes and pointers. SipHash-1-3 with the secret of Process, so that with PYTHONHASHSEED=0 (or any other seed)
 * hashes equal CPython's. The secret is written once, before the first string is hashed. */
#include "objects/unicode.h"
#include "runtime/state.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#define ROTATE(x, b) (((x) << (b)) | ((x) >> (64 - (b))))

static ALWAYS_INLINE void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[2] += v[3];
    v[1] = ROTATE(v[1], 13) ^ v[0];
    v[3] = ROTATE(v[3], 16) ^ v[2];
    v[0] = ROTATE(v[0], 32);
    v[2] += v[1];
    v[0] += v[3];
    v[1] = ROTATE(v[1], 17) ^ v[2];
    v[3] = ROTATE(v[3], 21) ^ v[0];
    v[2] = ROTATE(v[2], 32);
}

static inline uint64_t load64(const unsigned char *p)
{
    uint64_t w;
    memcpy(&w, p, 8);
#if PY_BIG_ENDIAN
    w = __builtin_bswap64(w);
#endif
    return w;
}

static uint64_t siphash13(uint64_t k0, uint64_t k1, const unsigned char *p, size_t n)
{
    uint64_t v[4] = { k0 ^ 0x736f6d6570736575u, k1 ^ 0x646f72616e646f6du, k0 ^ 0x6c7967656e657261u, k1 ^ 0x7465646279746573u };
    uint64_t last = (uint64_t)n << 56;
    for (; n >= 8; p += 8, n -= 8) {
        uint64_t m = load64(p);
        v[3] ^= m;
        sip_round(v);
        v[0] ^= m;
    }
    switch (n) {
        case 7: last |= (uint64_t)p[6] << 48; FALLTHROUGH;
        case 6: last |= (uint64_t)p[5] << 40; FALLTHROUGH;
        case 5: last |= (uint64_t)p[4] << 32; FALLTHROUGH;
        case 4: last |= (uint64_t)p[3] << 24; FALLTHROUGH;
        case 3: last |= (uint64_t)p[2] << 16; FALLTHROUGH;
        case 2: last |= (uint64_t)p[1] << 8; FALLTHROUGH;
        case 1: last |= (uint64_t)p[0]; FALLTHROUGH;
        default: break;
    }
    v[3] ^= last;
    sip_round(v);
    v[0] ^= last;
    v[2] ^= 0xff;
    sip_round(v);
    sip_round(v);
    sip_round(v);
    return (v[0] ^ v[1]) ^ (v[2] ^ v[3]);
}

Py_hash_t _Py_HashBytes(const void *src, Py_ssize_t length)
{
    if (length == 0) return 0;
    const uint64_t *secret = _PyRuntime.unicode.hash_secret;
    Py_hash_t h = (Py_hash_t)siphash13(secret[0], secret[1], src, (size_t)length);
    return h == -1 ? -2 : h;
}

static Py_hash_t hash_bytes_raw(const void *src, Py_ssize_t length)
{
    const uint64_t *secret = _PyRuntime.unicode.hash_secret;
    return (Py_hash_t)siphash13(secret[0], secret[1], src, (size_t)length);
}

static PyHash_FuncDef hash_function = { hash_bytes_raw, "siphash13", 64, 128 };

PyHash_FuncDef *PyHash_GetFuncDef(void) { return &hash_function; }

/* A seed is stretched by the linear congruential generator that CPython uses, so that seeds mean the same. */
void hash_init(int use_seed, unsigned long seed)
{
    unsigned char *secret = (unsigned char *)_PyRuntime.unicode.hash_secret;
    size_t size = sizeof _PyRuntime.unicode.hash_secret;
    if (use_seed && seed == 0) memset(secret, 0, size);
    else if (use_seed) {
        unsigned int x = (unsigned int)seed;
        for (size_t i = 0; i < size; i++) {
            x = x * 214013 + 2531011;
            secret[i] = (x >> 16) & 0xff;
        }
    }
    else {
        size_t got = 0;
        while (got < size) {
            ssize_t n = getrandom(secret + got, size - got, GRND_NONBLOCK);
            if (n > 0) got += (size_t)n;
            else if (errno != EINTR) break;
        }
        if (got < size) {                                 /* early boot, or no such call: address and time are better than nothing */
            struct timespec now;
            clock_gettime(CLOCK_REALTIME, &now);
            uint64_t w = (uint64_t)now.tv_nsec * 0x9e3779b97f4a7c15u ^ (uint64_t)now.tv_sec ^ (uint64_t)(uintptr_t)&now;
            for (size_t i = 0; i < 3; i++) _PyRuntime.unicode.hash_secret[i] ^= (w = w * 6364136223846793005u + 1442695040888963407u);
        }
    }
#if PY_BIG_ENDIAN
    for (size_t i = 0; i < 3; i++) _PyRuntime.unicode.hash_secret[i] = __builtin_bswap64(_PyRuntime.unicode.hash_secret[i]);
#endif
}

Py_hash_t Py_HashPointer(const void *p)
{
    size_t a = (size_t)p;
    Py_hash_t h = (Py_hash_t)((a >> 4) | (a << (8 * sizeof a - 4)));   /* the low bits of addresses are mostly zero */
    return h == -1 ? -2 : h;
}

Py_hash_t PyObject_GenericHash(PyObject *o) { return Py_HashPointer(o); }
