/* What MD5, SHA-1 and SHA-2 have in common: they work on whole blocks, and end with a padding that holds the length in bits. */
#ifndef TAIPAN_MODULES_HASH_BLOCKS_H
#define TAIPAN_MODULES_HASH_BLOCKS_H

#include "hash_object.h"

typedef struct HashBlocks { uint64_t length; uint32_t fill; unsigned char block[128]; } HashBlocks;   /* block[0 .. fill): not worked on yet */

typedef void CompressBlock(void *state, const unsigned char *block);

/* size: of a block. With constants for size and compress this becomes the loop of one algorithm. */
static ALWAYS_INLINE void hash_blocks_update(HashBlocks *b, uint32_t size, CompressBlock *compress, void *state, const unsigned char *data, size_t n)
{
    b->length += n;
    if (b->fill) {
        size_t take = size - b->fill < n ? size - b->fill : n;
        memcpy(b->block + b->fill, data, take);
        b->fill += (uint32_t)take;
        data += take;
        n -= take;
        if (b->fill < size) return;
        compress(state, b->block);
    }
    for (; n >= size; data += size, n -= size) compress(state, data);
    if (n) memcpy(b->block, data, n);
    b->fill = (uint32_t)n;
}

/* bits: the length in bits as the last `width` bytes of the last block hold it. */
static ALWAYS_INLINE void hash_blocks_pad(HashBlocks *b, uint32_t size, CompressBlock *compress, void *state, const void *bits, uint32_t width)
{
    static const unsigned char padding[128] = { 0x80 };
    uint32_t end = size - width;
    hash_blocks_update(b, size, compress, state, padding, (b->fill < end ? end : end + size) - b->fill);
    hash_blocks_update(b, size, compress, state, bits, width);
}

#endif
