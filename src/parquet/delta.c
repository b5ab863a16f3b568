/*
 * Delta encoding: see delta.h. Differences wrap, as the format has it.
 */
#include "parquet/delta.h"

#include <string.h>

#include "core/wide.h"

enum { BLOCK = 128, MINIBLOCKS = 4, MINIBLOCK = BLOCK / MINIBLOCKS };

static size_t put_varint(uint8_t *out, uint64_t value)
{
    size_t count = 0;
    while (value >= 0x80) {
        out[count++] = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    out[count++] = (uint8_t)value;
    return count;
}

static size_t put_zigzag(uint8_t *out, int64_t value)
{
    return put_varint(out, (uint64_t)value << 1 ^ (value < 0 ? UINT64_MAX : 0));
}

/* A miniblock of `width` bits a value, the lowest first: a word is stored whenever it is full. */
static inline __attribute__((always_inline)) void pack(uint8_t *out, const uint64_t *values, unsigned width)
{
    adg_uint128 word = 0;
    unsigned bits = 0;
    for (unsigned i = 0; i < MINIBLOCK; i++) {
        word |= (adg_uint128)values[i] << bits;
        bits += width;
        if (bits >= 64) {
            uint64_t low = (uint64_t)word;
            memcpy(out, &low, sizeof low);
            out += sizeof low;
            word >>= 64;
            bits -= 64;
        }
    }
    uint64_t low = (uint64_t)word; /* 32 values end with a whole number of bytes: four times the width */
    memcpy(out, &low, sizeof low);
}

/* Widths whose shifts are worth being constants: those of lengths and of the numbers of identifiers. */
static void pack_miniblock(uint8_t *out, const uint64_t *values, unsigned width)
{
    switch (width) {
#define WIDTH(w)                                                                                                       \
    case w:                                                                                                            \
        pack(out, values, w);                                                                                          \
        break;
        /* clang-format off */
        WIDTH(1) WIDTH(2) WIDTH(3) WIDTH(4) WIDTH(5) WIDTH(6) WIDTH(7) WIDTH(8) WIDTH(40) WIDTH(41) WIDTH(47) WIDTH(48)
        /* clang-format on */
#undef WIDTH
            default : pack(out, values, width);
    }
}

/* A block of `count` differences, 1 to 128. */
static size_t put_block(uint8_t *out, const int64_t *differences, uint32_t count)
{
    uint64_t above[BLOCK] = {0}, all[MINIBLOCKS] = {0};
    int64_t least = differences[0];
    for (uint32_t i = 1; i < count; i++) {
        least = differences[i] < least ? differences[i] : least;
    }
    for (uint32_t i = 0; i < count; i++) {
        above[i] = (uint64_t)differences[i] - (uint64_t)least;
    }
    for (uint32_t m = 0; m < MINIBLOCKS; m++) {
        for (uint32_t i = 0; i < MINIBLOCK; i++) {
            all[m] |= above[m * MINIBLOCK + i];
        }
    }
    uint8_t *next = out + put_zigzag(out, least), *widths = next;
    next += MINIBLOCKS;
    for (uint32_t m = 0; m < MINIBLOCKS; m++) {
        unsigned width = all[m] == 0 ? 0 : 64 - (unsigned)__builtin_clzll(all[m]);
        widths[m] = (uint8_t)width;
        if (width > 0) { /* beyond the last value there are no miniblocks, and above[] is 0 */
            pack_miniblock(next, above + (size_t)m * MINIBLOCK, width);
            next += (size_t)width * MINIBLOCK / 8;
        }
    }
    return (size_t)(next - out);
}

static size_t put_header(uint8_t *out, uint32_t count, int64_t first)
{
    size_t size = put_varint(out, BLOCK);
    size += put_varint(out + size, MINIBLOCKS);
    size += put_varint(out + size, count);
    return size + put_zigzag(out + size, first);
}

size_t adg_delta_put_i32(uint8_t *out, const int32_t *values, uint32_t count)
{
    int64_t differences[BLOCK];
    size_t size = put_header(out, count, count > 0 ? values[0] : 0);
    for (uint32_t first = 1; first < count; first += BLOCK) {
        uint32_t part = count - first < BLOCK ? count - first : BLOCK;
        for (uint32_t i = 0; i < part; i++) { /* wraps within 32 bits */
            differences[i] = (int32_t)((uint32_t)values[first + i] - (uint32_t)values[first + i - 1]);
        }
        size += put_block(out + size, differences, part);
    }
    return size;
}

size_t adg_delta_put_i64(uint8_t *out, const int64_t *values, uint32_t count)
{
    int64_t differences[BLOCK];
    size_t size = put_header(out, count, count > 0 ? values[0] : 0);
    for (uint32_t first = 1; first < count; first += BLOCK) {
        uint32_t part = count - first < BLOCK ? count - first : BLOCK;
        for (uint32_t i = 0; i < part; i++) {
            differences[i] = (int64_t)((uint64_t)values[first + i] - (uint64_t)values[first + i - 1]);
        }
        size += put_block(out + size, differences, part);
    }
    return size;
}
