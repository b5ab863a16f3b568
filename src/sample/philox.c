/*
 * Philox4x32-10: see philox.h. The plain kernel is the specification; those for AVX2, AVX-512 and NEON give the same words.
 */
#include "sample/philox.h"

#include <stdbool.h>
#include <string.h>

#include "core/vectors.h"

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
static void fill_groups_scalar(const struct adg_stream *stream, uint64_t first, uint32_t groups, uint32_t *out)
{
    const uint32_t key[2] = {(uint32_t)stream->seed, (uint32_t)(stream->seed >> 32)};
    for (uint32_t g = 0; g < groups; g++, out += GROUP_ROWS) {
        uint64_t block = (first + g) * LANES; /* a multiple of 16: the low word does not carry within the group */
        for (uint32_t i = 0; i < LANES; i++) {
            const uint32_t counter[4] = {(uint32_t)block + i, (uint32_t)(block >> 32), stream->column, stream->purpose};
            uint32_t words[4];
            adg_philox4x32(counter, key, words);
            for (uint32_t w = 0; w < 4; w++) {
                out[w * LANES + i] = words[w];
            }
        }
    }
}

#if defined(__x86_64__)

/* Eight counters at a time. Each 32-bit word lies in the low half of a 64-bit lane, where a multiplication reads it; what is
 * above it is left over. Vector 0 holds the counters with even numbers, vector 1 the odd ones, so that two shifts and a blend put
 * them in order at the end. */
struct counters {
    __m256i c0[2], c1[2], c2[2], c3[2];
};

ADG_FOR_AVX2 static inline __m256i in_order(const __m256i half[2])
{
    return _mm256_blend_epi32(half[0], _mm256_slli_epi64(half[1], 32), 0xAA);
}

struct keys {
    __m256i k0[ROUNDS], k1[ROUNDS];
};

ADG_FOR_AVX2 static inline void make_keys(const struct adg_stream *stream, struct keys *keys)
{
    for (uint32_t round = 0; round < ROUNDS; round++) {
        keys->k0[round] = _mm256_set1_epi64x((uint32_t)stream->seed + round * weyl_0);
        keys->k1[round] = _mm256_set1_epi64x((uint32_t)(stream->seed >> 32) + round * weyl_1);
    }
}

/* The rounds of eight counters; words 0 to 3 go to `out` with a distance of `stride` words. */
ADG_FOR_AVX2 static inline void eight_blocks(struct counters c, const struct keys *keys, uint32_t stride, uint32_t *out)
{
    const __m256i m0 = _mm256_set1_epi64x(multiplier_0), m1 = _mm256_set1_epi64x(multiplier_1);
    for (int round = 0; round < ROUNDS; round++) {
        for (int k = 0; k < 2; k++) {
            __m256i p0 = _mm256_mul_epu32(c.c0[k], m0), p1 = _mm256_mul_epu32(c.c2[k], m1);
            c.c0[k] = _mm256_xor_si256(_mm256_xor_si256(_mm256_srli_epi64(p1, 32), c.c1[k]), keys->k0[round]);
            c.c1[k] = p1;
            c.c2[k] = _mm256_xor_si256(_mm256_xor_si256(_mm256_srli_epi64(p0, 32), c.c3[k]), keys->k1[round]);
            c.c3[k] = p0;
        }
    }
    _mm256_storeu_si256((__m256i *)(void *)out, in_order(c.c0));
    _mm256_storeu_si256((__m256i *)(void *)(out + stride), in_order(c.c1));
    _mm256_storeu_si256((__m256i *)(void *)(out + 2 * stride), in_order(c.c2));
    _mm256_storeu_si256((__m256i *)(void *)(out + 3 * stride), in_order(c.c3));
}

ADG_FOR_AVX2 static void fill_groups_avx2(const struct adg_stream *stream, uint64_t first, uint32_t groups,
                                          uint32_t *out)
{
    struct keys keys;
    struct counters c;
    make_keys(stream, &keys);
    for (uint32_t g = 0; g < 2 * groups; g++) {
        uint64_t block = first * LANES + (uint64_t)g * 8;
        for (int k = 0; k < 2; k++) {
            c.c0[k] = _mm256_add_epi64(_mm256_set1_epi64x((uint32_t)block), _mm256_set_epi64x(6 + k, 4 + k, 2 + k, k));
            c.c1[k] = _mm256_set1_epi64x((uint32_t)(block >> 32));
            c.c2[k] = _mm256_set1_epi64x(stream->column);
            c.c3[k] = _mm256_set1_epi64x(stream->purpose);
        }
        eight_blocks(c, &keys, LANES, out + g / 2 * GROUP_ROWS + g % 2 * 8);
    }
}

ADG_FOR_AVX2 static void many_avx2(const struct adg_stream *stream, const uint32_t *low, const uint32_t *high,
                                   uint32_t count, uint32_t stride, uint32_t *words)
{
    struct keys keys;
    struct counters c;
    make_keys(stream, &keys);
    for (uint32_t i = 0; i < count; i += 8) {
        const __m256i lows = _mm256_loadu_si256((const __m256i *)(const void *)(low + i)),
                      highs = _mm256_loadu_si256((const __m256i *)(const void *)(high + i));
        for (int k = 0; k < 2; k++) {
            c.c0[k] = k == 0 ? lows : _mm256_srli_epi64(lows, 32);
            c.c1[k] = k == 0 ? highs : _mm256_srli_epi64(highs, 32);
            c.c2[k] = _mm256_set1_epi64x(stream->column);
            c.c3[k] = _mm256_set1_epi64x(stream->purpose);
        }
        eight_blocks(c, &keys, stride, words + i);
    }
}

/* The same with vectors twice as wide and an exclusive or of three: the 16 counters of a group at a time. Two groups side by side
 * keep the multipliers busy while results are waited for. */
enum { MOST_VECTORS = 4 };
struct wide_counters {
    __m512i c0[MOST_VECTORS], c1[MOST_VECTORS], c2[MOST_VECTORS], c3[MOST_VECTORS];
};

ADG_FOR_AVX512 static inline __m512i xor_of_three(__m512i a, __m512i b, __m512i c)
{
    return _mm512_ternarylogic_epi32(a, b, c, 0x96);
}

ADG_FOR_AVX512 __attribute__((always_inline)) static inline void wide_rounds(const struct adg_stream *stream,
                                                                             struct wide_counters *c, int vectors)
{
    const __m512i m0 = _mm512_set1_epi64(multiplier_0), m1 = _mm512_set1_epi64(multiplier_1);
    uint32_t k0 = (uint32_t)stream->seed, k1 = (uint32_t)(stream->seed >> 32);
    for (int round = 0; round < ROUNDS; round++, k0 += weyl_0, k1 += weyl_1) {
        const __m512i key0 = _mm512_set1_epi64(k0), key1 = _mm512_set1_epi64(k1);
        for (int k = 0; k < vectors; k++) {
            __m512i p0 = _mm512_mul_epu32(c->c0[k], m0), p1 = _mm512_mul_epu32(c->c2[k], m1);
            c->c0[k] = xor_of_three(_mm512_srli_epi64(p1, 32), c->c1[k], key0);
            c->c1[k] = p1;
            c->c2[k] = xor_of_three(_mm512_srli_epi64(p0, 32), c->c3[k], key1);
            c->c3[k] = p0;
        }
    }
}

ADG_FOR_AVX512 static inline void store_in_order(const __m512i half[2], uint32_t *out)
{
    __m512i both = _mm512_mask_shuffle_epi32(half[0], 0xAAAA, half[1], _MM_PERM_CCAA);
    _mm512_storeu_si512(out, both);
}

/* `vectors` / 2 groups. */
ADG_FOR_AVX512 __attribute__((always_inline)) static inline void wide_groups(const struct adg_stream *stream,
                                                                             uint64_t first, int vectors, uint32_t *out)
{
    struct wide_counters c;
    for (int k = 0; k < vectors; k++) {
        uint64_t block = (first + (uint64_t)k / 2) * LANES;
        c.c0[k] = _mm512_add_epi64(_mm512_set1_epi64((uint32_t)block + k % 2),
                                   _mm512_set_epi64(14, 12, 10, 8, 6, 4, 2, 0));
        c.c1[k] = _mm512_set1_epi64((uint32_t)(block >> 32));
        c.c2[k] = _mm512_set1_epi64(stream->column);
        c.c3[k] = _mm512_set1_epi64(stream->purpose);
    }
    wide_rounds(stream, &c, vectors);
    for (int k = 0; k < vectors; k += 2, out += GROUP_ROWS) {
        store_in_order(c.c0 + k, out);
        store_in_order(c.c1 + k, out + LANES);
        store_in_order(c.c2 + k, out + 2 * LANES);
        store_in_order(c.c3 + k, out + 3 * LANES);
    }
}

ADG_FOR_AVX512 static void fill_groups_avx512(const struct adg_stream *stream, uint64_t first, uint32_t groups,
                                              uint32_t *out)
{
    uint32_t g = 0;
    for (; g + MOST_VECTORS / 2 <= groups; g += MOST_VECTORS / 2) {
        wide_groups(stream, first + g, MOST_VECTORS, out + (size_t)g * GROUP_ROWS);
    }
    for (; g < groups; g++) {
        wide_groups(stream, first + g, 2, out + (size_t)g * GROUP_ROWS);
    }
}

/* As many_avx2(), 16 counters at a time. */
ADG_FOR_AVX512 static void many_avx512(const struct adg_stream *stream, const uint32_t *low, const uint32_t *high,
                                       uint32_t count, uint32_t stride, uint32_t *words)
{
    struct wide_counters c;
    for (uint32_t i = 0; i < count; i += LANES) {
        const __m512i lows = _mm512_loadu_si512(low + i), highs = _mm512_loadu_si512(high + i);
        for (int k = 0; k < 2; k++) {
            c.c0[k] = k == 0 ? lows : _mm512_srli_epi64(lows, 32);
            c.c1[k] = k == 0 ? highs : _mm512_srli_epi64(highs, 32);
            c.c2[k] = _mm512_set1_epi64(stream->column);
            c.c3[k] = _mm512_set1_epi64(stream->purpose);
        }
        wide_rounds(stream, &c, 2);
        store_in_order(c.c0, words + i);
        store_in_order(c.c1, words + stride + i);
        store_in_order(c.c2, words + 2 * stride + i);
        store_in_order(c.c3, words + 3 * stride + i);
    }
}

/* As fill_groups_scalar(); false: no kernel was chosen. */
static bool fill_groups_fast(const struct adg_stream *stream, uint64_t first, uint32_t groups, uint32_t *out)
{
    if (adg_cpu_choose() >= ADG_CPU_AVX2) {
        (adg_cpu_choose() >= ADG_CPU_AVX512 ? fill_groups_avx512 : fill_groups_avx2)(stream, first, groups, out);
        return true;
    }
    return false;
}

/* Of `count` counters the first ones; how many. */
static uint32_t many_fast(const struct adg_stream *stream, const uint32_t *low, const uint32_t *high, uint32_t count,
                          uint32_t *words)
{
    uint32_t done = 0;
    if (adg_cpu_choose() >= ADG_CPU_AVX512) {
        done = count / LANES * LANES;
        many_avx512(stream, low, high, done, count, words);
    } else if (adg_cpu_choose() >= ADG_CPU_AVX2) {
        done = count / 8 * 8;
        many_avx2(stream, low, high, done, count, words);
    }
    return done;
}

#elif defined(__aarch64__)

/* The 16 counters of a group at a time, four to a vector, so that products are under way while others are waited for. Both halves of a
 * vector's products come apart by taking every other word of them. Compilers keep it all in registers when the loops are unrolled. */
enum { VECTOR = 4, VECTORS = LANES / VECTOR };
struct counters {
    uint32x4_t c0[VECTORS], c1[VECTORS], c2[VECTORS], c3[VECTORS];
};
struct keys {
    uint32x4_t k0[ROUNDS], k1[ROUNDS];
};
struct products {
    uint32x4_t low, high;
};

static inline struct keys make_keys(const struct adg_stream *stream)
{
    struct keys keys;
    for (uint32_t round = 0; round < ROUNDS; round++) {
        keys.k0[round] = vdupq_n_u32((uint32_t)stream->seed + round * weyl_0);
        keys.k1[round] = vdupq_n_u32((uint32_t)(stream->seed >> 32) + round * weyl_1);
    }
    return keys;
}

static inline struct products multiply(uint32x4_t words, uint32_t multiplier)
{
    uint32x4_t first = vreinterpretq_u32_u64(vmull_n_u32(vget_low_u32(words), multiplier));
    uint32x4_t second = vreinterpretq_u32_u64(vmull_high_n_u32(words, multiplier));
    return (struct products){vuzp1q_u32(first, second), vuzp2q_u32(first, second)};
}

/* Words 0 to 3 go to `out` with a distance of `stride` words. */
static inline void sixteen_blocks(const struct keys *keys, struct counters c, size_t stride, uint32_t *out)
{
#pragma GCC unroll 10
    for (int round = 0; round < ROUNDS; round++) {
#pragma GCC unroll 4
        for (int k = 0; k < VECTORS; k++) {
            struct products p0 = multiply(c.c0[k], multiplier_0), p1 = multiply(c.c2[k], multiplier_1);
            c.c0[k] = veorq_u32(veorq_u32(p1.high, c.c1[k]), keys->k0[round]);
            c.c1[k] = p1.low;
            c.c2[k] = veorq_u32(veorq_u32(p0.high, c.c3[k]), keys->k1[round]);
            c.c3[k] = p0.low;
        }
    }
    for (size_t k = 0; k < VECTORS; k++) {
        vst1q_u32(out + k * VECTOR, c.c0[k]);
        vst1q_u32(out + stride + k * VECTOR, c.c1[k]);
        vst1q_u32(out + 2 * stride + k * VECTOR, c.c2[k]);
        vst1q_u32(out + 3 * stride + k * VECTOR, c.c3[k]);
    }
}

static bool fill_groups_fast(const struct adg_stream *stream, uint64_t first, uint32_t groups, uint32_t *out)
{
    static const uint32_t in_order[VECTOR] = {0, 1, 2, 3};
    if (adg_cpu_choose() != ADG_CPU_NEON) {
        return false;
    }
    const struct keys keys = make_keys(stream);
    for (uint32_t g = 0; g < groups; g++, out += GROUP_ROWS) {
        uint64_t block = (first + g) * LANES;
        struct counters c;
        for (uint32_t k = 0; k < VECTORS; k++) {
            c.c0[k] = vaddq_u32(vdupq_n_u32((uint32_t)block + k * VECTOR), vld1q_u32(in_order));
            c.c1[k] = vdupq_n_u32((uint32_t)(block >> 32));
            c.c2[k] = vdupq_n_u32(stream->column);
            c.c3[k] = vdupq_n_u32(stream->purpose);
        }
        sixteen_blocks(&keys, c, LANES, out);
    }
    return true;
}

static uint32_t many_fast(const struct adg_stream *stream, const uint32_t *low, const uint32_t *high, uint32_t count,
                          uint32_t *words)
{
    uint32_t done = count / LANES * LANES;
    if (adg_cpu_choose() != ADG_CPU_NEON) {
        return 0;
    }
    const struct keys keys = make_keys(stream);
    for (uint32_t i = 0; i < done; i += LANES) {
        struct counters c;
        for (uint32_t k = 0; k < VECTORS; k++) {
            c.c0[k] = vld1q_u32(low + i + k * VECTOR);
            c.c1[k] = vld1q_u32(high + i + k * VECTOR);
            c.c2[k] = vdupq_n_u32(stream->column);
            c.c3[k] = vdupq_n_u32(stream->purpose);
        }
        sixteen_blocks(&keys, c, count, words + i);
    }
    return done;
}

#else

static bool fill_groups_fast(const struct adg_stream *stream, uint64_t first, uint32_t groups, uint32_t *out)
{
    (void)stream, (void)first, (void)groups, (void)out;
    return false;
}

static uint32_t many_fast(const struct adg_stream *stream, const uint32_t *low, const uint32_t *high, uint32_t count,
                          uint32_t *words)
{
    (void)stream, (void)low, (void)high, (void)count, (void)words;
    return 0;
}
#endif

static void fill(const struct adg_stream *stream, uint64_t first, uint32_t groups, uint32_t *out)
{
    if (!fill_groups_fast(stream, first, groups, out)) {
        fill_groups_scalar(stream, first, groups, out);
    }
}

void adg_philox4x32_many(const struct adg_stream *stream, const uint32_t *low, const uint32_t *high, uint32_t count,
                         uint32_t *words)
{
    const uint32_t key[2] = {(uint32_t)stream->seed, (uint32_t)(stream->seed >> 32)};
    for (uint32_t i = many_fast(stream, low, high, count, words); i < count; i++) {
        const uint32_t counter[4] = {low[i], high[i], stream->column, stream->purpose};
        uint32_t block[4];
        adg_philox4x32(counter, key, block);
        for (uint32_t w = 0; w < 4; w++) {
            words[w * count + i] = block[w];
        }
    }
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
