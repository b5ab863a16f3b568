/*
 * Delta encoding: see delta.h. Differences wrap, as the format has it. The differences of a block and their bounds are taken by loops
 * that become vector instructions; widths up to 32 bits are packed as codes are (hybrid.h), which is the same order of bits.
 */
#include "parquet/delta.h"

#include <stdbool.h>
#include <string.h>

#include "core/cpu.h"
#include "parquet/hybrid.h"
#include "parquet/varint.h"

enum { BLOCK = 128, MINIBLOCKS = 4, MINIBLOCK = BLOCK / MINIBLOCKS };

static size_t put_zigzag(uint8_t *out, int64_t value)
{
    return adg_varint_put(out, adg_zigzag(value));
}

static size_t put_header(uint8_t *out, uint32_t count, int64_t first)
{
    size_t size = adg_varint_put(out, BLOCK);
    size += adg_varint_put(out + size, MINIBLOCKS);
    size += adg_varint_put(out + size, count);
    return size + put_zigzag(out + size, first);
}

/* ---- lengths ----------------------------------------------------------------------------------------------------- */

/* The smallest of BLOCK differences, how much larger each is, and all those numbers of a miniblock or-ed. */
static inline __attribute__((always_inline)) int32_t differ_i32(const uint32_t *lengths, uint32_t *above, uint32_t *all)
{
    const uint32_t *before = lengths - 1;
    int32_t least = INT32_MAX;
    for (uint32_t i = 0; i < BLOCK; i++) {
        above[i] = lengths[i] - before[i];
        least = (int32_t)above[i] < least ? (int32_t)above[i] : least;
    }
    for (uint32_t m = 0; m < MINIBLOCKS; m++) {
        uint32_t bits = 0;
        for (uint32_t i = m * MINIBLOCK; i < (m + 1) * MINIBLOCK; i++) {
            above[i] -= (uint32_t)least;
            bits |= above[i];
        }
        all[m] = bits;
    }
    return least;
}

/* The same for 64 bits. */
static inline __attribute__((always_inline)) int64_t differ_i64(const int64_t *values, uint64_t *above, uint64_t *all)
{
    const int64_t *before = values - 1;
    int64_t least = INT64_MAX;
    for (uint32_t i = 0; i < BLOCK; i++) {
        above[i] = (uint64_t)values[i] - (uint64_t)before[i];
        least = (int64_t)above[i] < least ? (int64_t)above[i] : least;
    }
    for (uint32_t m = 0; m < MINIBLOCKS; m++) {
        uint64_t bits = 0;
        for (uint32_t i = m * MINIBLOCK; i < (m + 1) * MINIBLOCK; i++) {
            above[i] -= (uint64_t)least;
            bits |= above[i];
        }
        all[m] = bits;
    }
    return least;
}

ADG_FOR_AVX512 static int32_t differ_i32_avx512(const uint32_t *lengths, uint32_t *above, uint32_t *all)
{
    return differ_i32(lengths, above, all);
}

ADG_FOR_AVX512 static int64_t differ_i64_avx512(const int64_t *values, uint64_t *above, uint64_t *all)
{
    return differ_i64(values, above, all);
}

ADG_FOR_AVX2 static int32_t differ_i32_avx2(const uint32_t *lengths, uint32_t *above, uint32_t *all)
{
    return differ_i32(lengths, above, all);
}

ADG_FOR_AVX2 static int64_t differ_i64_avx2(const int64_t *values, uint64_t *above, uint64_t *all)
{
    return differ_i64(values, above, all);
}

static int32_t differ_lengths(const uint32_t *lengths, uint32_t *above, uint32_t *all)
{
    if (adg_cpu_choose() >= ADG_CPU_AVX2) {
        return (adg_cpu_choose() >= ADG_CPU_AVX512 ? differ_i32_avx512 : differ_i32_avx2)(lengths, above, all);
    }
    return differ_i32(lengths, above, all);
}

static int64_t differ_values(const int64_t *values, uint64_t *above, uint64_t *all)
{
    if (adg_cpu_choose() >= ADG_CPU_AVX2) {
        return (adg_cpu_choose() >= ADG_CPU_AVX512 ? differ_i64_avx512 : differ_i64_avx2)(values, above, all);
    }
    return differ_i64(values, above, all);
}

size_t adg_delta_put_lengths(uint8_t *out, const uint32_t *lengths, uint32_t count)
{
    uint32_t above[BLOCK], all[MINIBLOCKS], last[BLOCK + 1];
    size_t size = put_header(out, count, count > 0 ? lengths[0] : 0);
    for (uint32_t first = 1; first < count; first += BLOCK) {
        const uint32_t *block = lengths + first;
        uint32_t part = count - first;
        if (part <
            BLOCK) { /* filled up with equal steps, so that what is left of its last miniblock takes no more bits */
            memcpy(last, block - 1, (part + 1) * sizeof *last);
            for (uint32_t i = part + 1; i <= BLOCK; i++) {
                last[i] = 2 * last[i - 1] - last[i - 2];
            }
            block = last + 1;
        }
        int32_t least = differ_lengths(block, above, all);
        size += put_zigzag(out + size, least);
        uint8_t *widths = out + size;
        size += MINIBLOCKS;
        for (uint32_t m = 0; m < MINIBLOCKS; m++) {
            bool there = m * MINIBLOCK < part && all[m] != 0;
            widths[m] = there ? (uint8_t)adg_hybrid_width(all[m]) : 0;
            if (there) {
                adg_hybrid_pack(out + size, above + (size_t)m * MINIBLOCK, MINIBLOCK / 8, widths[m]);
                size += (size_t)widths[m] * MINIBLOCK / 8;
            }
        }
    }
    return size;
}

/* ---- numbers ----------------------------------------------------------------------------------------------------- */

/* A miniblock of `width` bits a value, the lowest first: a word is stored whenever it is full. */
static inline __attribute__((always_inline)) void pack(uint8_t *out, const uint64_t *values, unsigned width)
{
    uint64_t word = 0;
    unsigned bits = 0;
    for (unsigned i = 0; i < MINIBLOCK; i++) {
        word |= values[i] << bits;
        bits += width;
        if (bits >= 64) {
            memcpy(out, &word, sizeof word);
            out += sizeof word;
            bits -= 64;
            word = bits > 0 ? values[i] >> (width - bits) : 0;
        }
    }
    memcpy(out, &word, sizeof word); /* 32 values end with a whole number of bytes: four times the width */
}

/* The shifts of the usual widths are constants: those of identifiers of 12 and 14 digits. */
static void pack_miniblock(uint8_t *out, const uint64_t *values, unsigned width)
{
    switch (width) {
#define WIDTH(w)                                                                                                       \
    case w:                                                                                                            \
        pack(out, values, w);                                                                                          \
        break;
        /* clang-format off */
        WIDTH(40) WIDTH(41) WIDTH(47) WIDTH(48)
        /* clang-format on */
#undef WIDTH
            default : pack(out, values, width);
    }
}

size_t adg_delta_put_i64(uint8_t *out, const int64_t *values, uint32_t count)
{
    uint64_t above[BLOCK], all[MINIBLOCKS];
    int64_t last[BLOCK + 1];
    size_t size = put_header(out, count, count > 0 ? values[0] : 0);
    for (uint32_t first = 1; first < count; first += BLOCK) {
        const int64_t *block = values + first;
        uint32_t part = count - first;
        if (part < BLOCK) { /* as above */
            memcpy(last, block - 1, (part + 1) * sizeof *last);
            for (uint32_t i = part + 1; i <= BLOCK; i++) {
                last[i] = (int64_t)(2 * (uint64_t)last[i - 1] - (uint64_t)last[i - 2]);
            }
            block = last + 1;
        }
        int64_t least = differ_values(block, above, all);
        size += put_zigzag(out + size, least);
        uint8_t *widths = out + size;
        size += MINIBLOCKS;
        for (uint32_t m = 0; m < MINIBLOCKS; m++) {
            bool there = m * MINIBLOCK < part && all[m] != 0;
            widths[m] = there ? (uint8_t)(64 - __builtin_clzll(all[m])) : 0;
            if (there) {
                pack_miniblock(out + size, above + (size_t)m * MINIBLOCK, widths[m]);
                size += (size_t)widths[m] * MINIBLOCK / 8;
            }
        }
    }
    return size;
}

size_t adg_delta_put_repeated(uint8_t *out, int64_t value, uint32_t count)
{
    size_t size = put_header(out, count, value);
    for (uint32_t first = 1; first < count; first += BLOCK) {
        memset(out + size, 0, 1 + MINIBLOCKS); /* no difference, and no bits */
        size += 1 + MINIBLOCKS;
    }
    return size;
}
