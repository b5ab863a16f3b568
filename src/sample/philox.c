/*
 * Philox4x32-10: see philox.h. Sixteen counters go through the rounds side by side, in plain loops which the compiler turns
 * into vector instructions: once for any processor, once for AVX2.
 */
#include "sample/philox.h"

#include <string.h>

#include "core/cpu.h"

enum { ROUNDS = 10, LANES = 16, GROUP_ROWS = 64 };

static const uint32_t multiplier_0 = 0xD2511F53, multiplier_1 = 0xCD9E8D57;
static const uint32_t weyl_0 = 0x9E3779B9, weyl_1 = 0xBB67AE85;

void adg_philox4x32(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4])
{
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3], k0 = key[0], k1 = key[1];
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t p0 = (uint64_t)multiplier_0 * c0, p1 = (uint64_t)multiplier_1 * c2;
        c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)p1;
        c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)p0;
        k0 += weyl_0;
        k1 += weyl_1;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

/* The 64 words of each of `groups` groups of rows, from group `first` on. */
static inline __attribute__((always_inline)) void fill_groups(const struct adg_stream *stream, uint64_t first,
                                                              uint32_t groups, uint32_t *out)
{
    for (uint32_t g = 0; g < groups; g++, out += GROUP_ROWS) {
        uint32_t c0[LANES], c1[LANES], c2[LANES], c3[LANES];
        uint32_t k0 = (uint32_t)stream->seed, k1 = (uint32_t)(stream->seed >> 32);
        uint64_t block = (first + g) * LANES; /* a multiple of 16: the low word does not carry within the group */
        for (uint32_t i = 0; i < LANES; i++) {
            c0[i] = (uint32_t)block + i;
            c1[i] = (uint32_t)(block >> 32);
            c2[i] = stream->column;
            c3[i] = stream->purpose;
        }
        for (int round = 0; round < ROUNDS; round++) {
            for (uint32_t i = 0; i < LANES; i++) {
                uint64_t p0 = (uint64_t)multiplier_0 * c0[i], p1 = (uint64_t)multiplier_1 * c2[i];
                c0[i] = (uint32_t)(p1 >> 32) ^ c1[i] ^ k0;
                c1[i] = (uint32_t)p1;
                c2[i] = (uint32_t)(p0 >> 32) ^ c3[i] ^ k1;
                c3[i] = (uint32_t)p0;
            }
            k0 += weyl_0;
            k1 += weyl_1;
        }
        memcpy(out, c0, sizeof c0);
        memcpy(out + LANES, c1, sizeof c1);
        memcpy(out + 2 * LANES, c2, sizeof c2);
        memcpy(out + 3 * LANES, c3, sizeof c3);
    }
}

static void fill_groups_scalar(const struct adg_stream *stream, uint64_t first, uint32_t groups, uint32_t *out)
{
    fill_groups(stream, first, groups, out);
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static void fill_groups_avx2(const struct adg_stream *stream, uint64_t first,
                                                             uint32_t groups, uint32_t *out)
{
    fill_groups(stream, first, groups, out);
}
#endif

static void fill(const struct adg_stream *stream, uint64_t first, uint32_t groups, uint32_t *out)
{
#if defined(__x86_64__)
    if (adg_cpu_choose() == ADG_CPU_AVX2) {
        fill_groups_avx2(stream, first, groups, out);
        return;
    }
#endif
    fill_groups_scalar(stream, first, groups, out);
}

uint32_t adg_stream_word(const struct adg_stream *stream, uint64_t row)
{
    uint64_t block = row / GROUP_ROWS * LANES + row % LANES;
    const uint32_t counter[4] = {(uint32_t)block, (uint32_t)(block >> 32), stream->column, stream->purpose};
    const uint32_t key[2] = {(uint32_t)stream->seed, (uint32_t)(stream->seed >> 32)};
    uint32_t words[4];
    adg_philox4x32(counter, key, words);
    return words[row % GROUP_ROWS / LANES];
}

void adg_stream_words(const struct adg_stream *stream, uint64_t first_row, uint32_t count, uint32_t *out)
{
    uint32_t group[GROUP_ROWS];
    uint32_t skip = (uint32_t)(first_row % GROUP_ROWS);
    if (skip != 0 && count > 0) { /* the end of a group that began before */
        uint32_t part = GROUP_ROWS - skip < count ? GROUP_ROWS - skip : count;
        fill(stream, first_row / GROUP_ROWS, 1, group);
        memcpy(out, group + skip, part * sizeof *out);
        out += part;
        first_row += part;
        count -= part;
    }
    uint32_t whole = count / GROUP_ROWS, rest = count % GROUP_ROWS;
    fill(stream, first_row / GROUP_ROWS, whole, out);
    if (rest != 0) {
        fill(stream, first_row / GROUP_ROWS + whole, 1, group);
        memcpy(out + whole * GROUP_ROWS, group, rest * sizeof *out);
    }
}
