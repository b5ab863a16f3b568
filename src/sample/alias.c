/*
 * Integer alias tables: see alias.h.
 */
#include "sample/alias.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/vectors.h"
#include "core/wide.h"

struct remainder {
    adg_uint128 value;
    uint32_t index;
};

static int larger_first(const void *left, const void *right)
{
    const struct remainder *a = left, *b = right;
    if (a->value != b->value) {
        return a->value < b->value ? 1 : -1;
    }
    return a->index < b->index ? -1 : 1;
}

enum { BUCKETS = 256 };

/* Larger remainders are in no lower buckets. */
static unsigned bucket_of(const struct remainder *remainder, double scale)
{
    unsigned bucket = (unsigned)((double)remainder->value * scale);
    return bucket < BUCKETS ? bucket : BUCKETS - 1;
}

/* One part more to the `left` largest remainders, of at least as many: those in the highest buckets, and of one bucket the first. */
static void give_left(struct remainder *remainders, uint32_t count, adg_uint128 sum, uint64_t left, uint64_t *parts)
{
    uint32_t counts[BUCKETS] = {0}, close = 0;
    unsigned last = BUCKETS - 1;
    double scale = BUCKETS / (double)sum;
    for (uint32_t i = 0; i < count; i++) {
        counts[bucket_of(&remainders[i], scale)]++;
    }
    while (counts[last] < left) {
        left -= counts[last--];
    }
    for (uint32_t i = 0; i < count; i++) {
        unsigned bucket = bucket_of(&remainders[i], scale);
        if (bucket > last) {
            parts[remainders[i].index]++;
        } else if (bucket == last) {
            remainders[close++] = remainders[i];
        }
    }
    qsort(remainders, close, sizeof *remainders, larger_first);
    for (uint64_t i = 0; i < left; i++) {
        parts[remainders[i].index]++;
    }
}

enum adg_status adg_parts_scale(const uint64_t *weights, uint32_t count, uint64_t null, uint64_t filled,
                                uint64_t *parts, struct adg_error *error)
{
    static const char too_small[] = "a value has less than one part in 2^32 of the weight: too rare to be drawn";
    uint64_t null_parts = 0;
    if (null > 0) {
        adg_uint128 both = (adg_uint128)null + filled;
        null_parts = (uint64_t)((2 * ADG_PARTS * (adg_uint128)null + both) / (2 * both)); /* to the nearest part */
        if ((adg_uint128)ADG_PARTS * null < both) {
            return adg_fail(error, ADG_BAD_INPUT, "%s", too_small);
        }
    }
    parts[count] = null_parts;
    if (null > 0 && filled == 0) {
        memset(parts, 0, count * sizeof *parts);
        return ADG_OK;
    }
    uint64_t rest = ADG_PARTS - null_parts, given = 0;
    adg_uint128 sum = 0;
    for (uint32_t i = 0; i < count; i++) {
        sum += weights[i];
    }
    if (sum == 0) {
        return adg_fail(error, ADG_BAD_INPUT, "no value has a weight");
    }
    struct remainder *remainders = adg_alloc_array(count, sizeof *remainders);
    if (remainders == NULL) {
        return adg_fail_memory(error);
    }
    enum adg_status status = ADG_OK;
    for (uint32_t i = 0; i < count; i++) {
        adg_uint128 product = (adg_uint128)rest * weights[i];
        parts[i] = (uint64_t)(product / sum);
        remainders[i] = (struct remainder){product % sum, i};
        given += parts[i];
        if (parts[i] == 0 && weights[i] > 0) {
            status = adg_fail(error, ADG_BAD_INPUT, "%s", too_small);
        }
    }
    if (status == ADG_OK && given < rest) {
        give_left(remainders, count, sum, rest - given, parts);
    }
    adg_free(remainders);
    return status;
}

enum adg_status adg_alias_build(struct adg_alias *alias, const uint64_t *parts, uint32_t count, struct adg_error *error)
{
    unsigned bits = 0;
    while (bits < 31 && (UINT64_C(1) << bits) < count) {
        bits++;
    }
    uint64_t slot_count = UINT64_C(1) << bits, capacity = ADG_PARTS >> bits;
    struct adg_alias_slot *slots = adg_alloc_array(slot_count, sizeof *slots);
    uint64_t *left = adg_alloc_array(slot_count, sizeof *left);
    uint32_t *stack = adg_alloc_array(slot_count,
                                      sizeof *stack); /* small slots from the front, large ones from the back */
    enum adg_status status = ADG_OK;
    if (slots == NULL || left == NULL || stack == NULL) {
        status = adg_fail_memory(error);
        goto done;
    }
    uint64_t small = 0, large = slot_count;
    for (uint64_t i = slot_count; i-- > 0;) {
        left[i] = i < count ? parts[i] : 0;
        slots[i] = (struct adg_alias_slot){0, (uint32_t)i}; /* its own alias: full */
        if (left[i] < capacity) {
            stack[small++] = (uint32_t)i;
        } else {
            stack[--large] = (uint32_t)i;
        }
    }
    while (small > 0 && large < slot_count) {
        uint32_t poor = stack[--small], rich = stack[large];
        slots[poor] = (struct adg_alias_slot){(uint32_t)left[poor], rich};
        left[rich] -= capacity - left[poor];
        if (left[rich] < capacity) {
            large++;
            stack[small++] = rich;
        }
    }
    adg_alias_fini(alias);
    *alias = (struct adg_alias){.slots = slots, .slot_bits = bits};
    slots = NULL;
done:
    adg_free(slots);
    adg_free(left);
    adg_free(stack);
    return status;
}

void adg_alias_fini(struct adg_alias *alias)
{
    adg_free(alias->slots);
    *alias = (struct adg_alias){0};
}

static void draw_scalar(const struct adg_alias *alias, const uint32_t *words, uint32_t count, uint32_t *codes)
{
    for (uint32_t i = 0; i < count; i++) {
        codes[i] = adg_alias_draw_one(alias, words[i]);
    }
}

#if defined(__x86_64__)

enum { VECTOR = 8, REGISTER_BITS = 3 };

ADG_FOR_AVX2 static inline __m256i load(const uint32_t *from)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)from);
}

/* Eight words to eight codes: the slots' thresholds and aliases are given. Below 2^31, as a slot has at least one bit, the
 * low bits compare as signed numbers. */
ADG_FOR_AVX2 static inline void store_codes(__m256i words, __m256i slots, __m256i thresholds, __m256i aliases,
                                            unsigned bits, uint32_t *codes)
{
    const __m128i shift = _mm_cvtsi32_si128((int)bits);
    __m256i low = _mm256_srl_epi32(_mm256_sll_epi32(words, shift), shift);
    __m256i chosen = _mm256_blendv_epi8(aliases, slots, _mm256_cmpgt_epi32(thresholds, low));
    _mm256_storeu_si256((__m256i *)(void *)codes, chosen);
}

/* Tables of up to eight slots stay in two registers. */
ADG_FOR_AVX2 static void draw_in_registers(const struct adg_alias *alias, const uint32_t *words, uint32_t count,
                                           uint32_t *codes)
{
    uint32_t thresholds[VECTOR] = {0}, aliases[VECTOR] = {0};
    const __m128i shift = _mm_cvtsi32_si128((int)(32 - alias->slot_bits));
    for (uint32_t i = 0; i < UINT32_C(1) << alias->slot_bits; i++) {
        thresholds[i] = alias->slots[i].threshold;
        aliases[i] = alias->slots[i].alias;
    }
    const __m256i all_thresholds = load(thresholds), all_aliases = load(aliases);
    for (uint32_t i = 0; i < count; i += VECTOR) {
        __m256i word = load(words + i), slot = _mm256_srl_epi32(word, shift);
        store_codes(word, slot, _mm256_permutevar8x32_epi32(all_thresholds, slot),
                    _mm256_permutevar8x32_epi32(all_aliases, slot), alias->slot_bits, codes + i);
    }
}

/* Twice as many slots and words at a time; or four times as many slots in four registers. */
enum { WIDE_VECTOR = 16, WIDE_REGISTER_BITS = 5 };

ADG_FOR_AVX512 __attribute__((always_inline)) static inline void
draw_in_wide_registers(const struct adg_alias *alias, const uint32_t *words, uint32_t count, uint32_t *codes, bool two)
{
    uint32_t thresholds[2 * WIDE_VECTOR] = {0}, aliases[2 * WIDE_VECTOR] = {0};
    const __m128i bits = _mm_cvtsi32_si128((int)alias->slot_bits);
    const __m128i shift = _mm_cvtsi32_si128((int)(32 - alias->slot_bits));
    for (uint32_t i = 0; i < UINT32_C(1) << alias->slot_bits; i++) {
        thresholds[i] = alias->slots[i].threshold;
        aliases[i] = alias->slots[i].alias;
    }
    const __m512i low_thresholds = _mm512_loadu_si512(thresholds), low_aliases = _mm512_loadu_si512(aliases);
    const __m512i high_thresholds = _mm512_loadu_si512(thresholds + WIDE_VECTOR);
    const __m512i high_aliases = _mm512_loadu_si512(aliases + WIDE_VECTOR);
    for (uint32_t i = 0; i < count; i += WIDE_VECTOR) {
        __m512i word = _mm512_loadu_si512(words + i), slot = _mm512_srl_epi32(word, shift);
        __m512i low = _mm512_srl_epi32(_mm512_sll_epi32(word, bits), bits);
        __m512i threshold = two ? _mm512_permutex2var_epi32(low_thresholds, slot, high_thresholds)
                                : _mm512_permutexvar_epi32(slot, low_thresholds);
        __m512i other = two ? _mm512_permutex2var_epi32(low_aliases, slot, high_aliases)
                            : _mm512_permutexvar_epi32(slot, low_aliases);
        _mm512_storeu_si512(codes + i, _mm512_mask_blend_epi32(_mm512_cmplt_epu32_mask(low, threshold), other, slot));
    }
}

ADG_FOR_AVX512 static void draw_avx512(const struct adg_alias *alias, const uint32_t *words, uint32_t count,
                                       uint32_t *codes)
{
    draw_in_wide_registers(alias, words, count, codes, false);
}

ADG_FOR_AVX512 static void draw_avx512_two(const struct adg_alias *alias, const uint32_t *words, uint32_t count,
                                           uint32_t *codes)
{
    draw_in_wide_registers(alias, words, count, codes, true);
}

ADG_FOR_AVX2 static inline __m128i load_slot(const struct adg_alias *alias, uint32_t word)
{
    return _mm_loadl_epi64((const __m128i *)(const void *)&alias->slots[word >> (32 - alias->slot_bits)]);
}

/* Larger ones are read slot by slot: eight loads of eight bytes are faster than a gather. */
ADG_FOR_AVX2 static void draw_by_loads(const struct adg_alias *alias, const uint32_t *words, uint32_t count,
                                       uint32_t *codes)
{
    const __m128i shift = _mm_cvtsi32_si128((int)(32 - alias->slot_bits));
    for (uint32_t i = 0; i < count; i += VECTOR, words += VECTOR) {
        __m256i word = load(words), slot = _mm256_srl_epi32(word, shift);
        __m128i a = _mm_unpacklo_epi32(load_slot(alias, words[0]), load_slot(alias, words[1]));
        __m128i b = _mm_unpacklo_epi32(load_slot(alias, words[2]), load_slot(alias, words[3]));
        __m128i c = _mm_unpacklo_epi32(load_slot(alias, words[4]), load_slot(alias, words[5]));
        __m128i d = _mm_unpacklo_epi32(load_slot(alias, words[6]), load_slot(alias, words[7]));
        store_codes(word, slot, _mm256_set_m128i(_mm_unpacklo_epi64(c, d), _mm_unpacklo_epi64(a, b)),
                    _mm256_set_m128i(_mm_unpackhi_epi64(c, d), _mm_unpackhi_epi64(a, b)), alias->slot_bits, codes + i);
    }
}

/* Of `count` codes the first ones, of a table with a slot bit; how many. */
static uint32_t draw_fast(const struct adg_alias *alias, const uint32_t *words, uint32_t count, uint32_t *codes)
{
    uint32_t done = 0;
    if (adg_cpu_choose() >= ADG_CPU_AVX512 && alias->slot_bits <= WIDE_REGISTER_BITS) {
        done = count / WIDE_VECTOR * WIDE_VECTOR;
        (alias->slot_bits < WIDE_REGISTER_BITS ? draw_avx512 : draw_avx512_two)(alias, words, done, codes);
    } else if (adg_cpu_choose() >= ADG_CPU_AVX2) {
        done = count / VECTOR * VECTOR;
        (alias->slot_bits <= REGISTER_BITS ? draw_in_registers : draw_by_loads)(alias, words, done, codes);
    }
    return done;
}

#elif defined(__aarch64__)

enum { VECTOR = 4, HALF_REGISTER_BITS = 3, REGISTER_BITS = 4, SLOTS = 1 << REGISTER_BITS };

/* Low bits and thresholds are compared at the top of a word, where the slot's bits are shifted out: a threshold is below what they
 * count to. */
static inline uint32x4_t choose_codes(uint32x4_t words, uint32x4_t slots, uint32x4_t raised_thresholds,
                                      uint32x4_t aliases, int32x4_t bits)
{
    return vbslq_u32(vcltq_u32(vshlq_u32(words, bits), raised_thresholds), slots, aliases);
}

/* Tables of up to eight or 16 slots stay in registers, thresholds in two or four of them and aliases, as bytes, in one. Bytes are looked
 * up: those of word s are 4 s to 4 s + 3; one that is not there gives 0. */
static inline __attribute__((always_inline)) void
draw_in_registers(const struct adg_alias *alias, const uint32_t *words, uint32_t count, uint32_t *codes, bool half)
{
    uint32_t thresholds[SLOTS] = {0};
    uint8_t aliases[SLOTS] = {0};
    for (uint32_t i = 0; i < UINT32_C(1) << alias->slot_bits; i++) {
        thresholds[i] = alias->slots[i].threshold << alias->slot_bits;
        aliases[i] = (uint8_t)alias->slots[i].alias;
    }
    const uint8x16x2_t two = vld1q_u8_x2((const uint8_t *)thresholds);
    const uint8x16x4_t four = vld1q_u8_x4((const uint8_t *)thresholds);
    const uint8x16_t all_aliases = vld1q_u8(aliases);
    const int32x4_t bits = vdupq_n_s32((int)alias->slot_bits), down = vdupq_n_s32((int)alias->slot_bits - 32);
    const uint32x4_t four_bytes = vdupq_n_u32(0x03020100), only_first = vdupq_n_u32(0xFFFFFF00);
    for (uint32_t i = 0; i < count; i += VECTOR) {
        uint32x4_t word = vld1q_u32(words + i), slot = vshlq_u32(word, down);
        uint8x16_t places = vreinterpretq_u8_u32(vmlaq_n_u32(four_bytes, slot, 0x04040404));
        uint8x16_t found = half ? vqtbl2q_u8(two, places) : vqtbl4q_u8(four, places);
        uint8x16_t other = vqtbl1q_u8(all_aliases, vreinterpretq_u8_u32(vorrq_u32(slot, only_first)));
        vst1q_u32(codes + i, choose_codes(word, slot, vreinterpretq_u32_u8(found), vreinterpretq_u32_u8(other), bits));
    }
}

static inline uint32x2_t load_slot(const struct adg_alias_slot *slot)
{
    return vld1_u32((const uint32_t *)(const void *)slot);
}

/* Larger ones are read slot by slot. */
static void draw_by_loads(const struct adg_alias *alias, const uint32_t *words, uint32_t count, uint32_t *codes)
{
    const struct adg_alias_slot *slots = alias->slots;
    const int32x4_t bits = vdupq_n_s32((int)alias->slot_bits), down = vdupq_n_s32((int)alias->slot_bits - 32);
    for (uint32_t i = 0; i < count; i += VECTOR) {
        uint32x4_t word = vld1q_u32(words + i), slot = vshlq_u32(word, down);
        uint64x2_t two = vreinterpretq_u64_u32(slot);
        uint64_t first = vgetq_lane_u64(two, 0), second = vgetq_lane_u64(two, 1);
        uint32x4_t a = vcombine_u32(load_slot(slots + (uint32_t)first), load_slot(slots + (first >> 32)));
        uint32x4_t b = vcombine_u32(load_slot(slots + (uint32_t)second), load_slot(slots + (second >> 32)));
        uint32x4_t raised = vshlq_u32(vuzp1q_u32(a, b), bits);
        vst1q_u32(codes + i, choose_codes(word, slot, raised, vuzp2q_u32(a, b), bits));
    }
}

static uint32_t draw_fast(const struct adg_alias *alias, const uint32_t *words, uint32_t count, uint32_t *codes)
{
    uint32_t done = count / VECTOR * VECTOR;
    if (adg_cpu_choose() != ADG_CPU_NEON) {
        return 0;
    }
    if (alias->slot_bits <= HALF_REGISTER_BITS) {
        draw_in_registers(alias, words, done, codes, true);
    } else if (alias->slot_bits <= REGISTER_BITS) {
        draw_in_registers(alias, words, done, codes, false);
    } else {
        draw_by_loads(alias, words, done, codes);
    }
    return done;
}

#else

static uint32_t draw_fast(const struct adg_alias *alias, const uint32_t *words, uint32_t count, uint32_t *codes)
{
    (void)alias, (void)words, (void)count, (void)codes;
    return 0;
}
#endif

void adg_alias_draw(const struct adg_alias *alias, const uint32_t *words, uint32_t count, uint32_t *codes)
{
    if (alias->slot_bits == 0) {
        memset(codes, 0, count * sizeof *codes);
        return;
    }
    uint32_t done = draw_fast(alias, words, count, codes);
    draw_scalar(alias, words + done, count - done, codes + done);
}

void adg_sums_build(const uint64_t *parts, uint32_t count, uint64_t *sums)
{
    sums[0] = 0;
    for (uint32_t i = 0; i < count; i++) {
        sums[i + 1] = sums[i] + parts[i];
    }
}

uint32_t adg_sums_draw_other(const uint64_t *sums, uint32_t count, uint32_t excluded, uint32_t word)
{
    uint64_t hole = sums[excluded + 1] - sums[excluded];
    uint64_t u = (uint64_t)word * (sums[count] - hole) >> 32;
    if (u >= sums[excluded]) {
        u += hole;
    }
    uint32_t low = 0, high = count; /* sums[low] <= u < sums[high] */
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (sums[middle] <= u) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}
