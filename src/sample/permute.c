/*
 * Feistel network with cycle walking: see permute.h. The round function is the finaliser of SplitMix64 (Steele, Lea, Flood:
 * "Fast splittable pseudorandom number generators", 2014).
 */
#include "sample/permute.h"

#include <stdbool.h>
#include <string.h>

#include "core/vectors.h"
#include "sample/philox.h"

static uint64_t mix(uint64_t z)
{
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

void adg_permutation_init(struct adg_permutation *permutation, uint64_t seed, uint32_t column, uint32_t purpose)
{
    const struct adg_stream stream = {seed, column, purpose};
    for (uint64_t i = 0; i < ADG_PERMUTE_ROUNDS; i++) {
        permutation->keys[i] = (uint64_t)adg_stream_word(&stream, 2 * i) << 32 | adg_stream_word(&stream, 2 * i + 1);
    }
}

/* The network's shape for a size and a tweak. */
struct network {
    unsigned half;
    uint64_t mask, keys[ADG_PERMUTE_ROUNDS], size;
};

static struct network network_of(const struct adg_permutation *permutation, uint64_t tweak, uint64_t size)
{
    unsigned bits = size > 1 ? 64 - (unsigned)__builtin_clzll(size - 1) : 1;
    uint64_t twist = tweak == 0 ? 0 : mix(tweak);
    struct network network = {.half = (bits + 1) / 2, .size = size};
    network.mask = (UINT64_C(1) << network.half) - 1;
    for (int round = 0; round < ADG_PERMUTE_ROUNDS; round++) {
        network.keys[round] = permutation->keys[round] ^ twist;
    }
    return network;
}

uint64_t adg_permute(const struct adg_permutation *permutation, uint64_t tweak, uint64_t size, uint64_t index)
{
    const struct network network = network_of(permutation, tweak, size);
    do {
        uint64_t left = index >> network.half, right = index & network.mask;
        for (int round = 0; round < ADG_PERMUTE_ROUNDS; round++) {
            uint64_t next = left ^ (mix(right + network.keys[round]) & network.mask);
            left = right;
            right = next;
        }
        index = left << network.half | right;
    } while (index >= size);
    return index;
}

enum { LANES = 64 };

/* Up to 64 indexes side by side, which the compiler turns into vector instructions; those that have to walk on close ranks. */
static inline __attribute__((always_inline)) void permute_lanes(const struct network *network, const uint64_t *indexes,
                                                                uint32_t count, uint64_t *out)
{
    uint64_t walking[LANES], left[LANES], right[LANES];
    uint32_t place[LANES];
    for (uint32_t i = 0; i < count; i++) {
        walking[i] = indexes[i];
        place[i] = i;
    }
    while (count > 0) {
        uint32_t still = 0;
        for (uint32_t i = 0; i < count; i++) {
            left[i] = walking[i] >> network->half;
            right[i] = walking[i] & network->mask;
        }
        for (int round = 0; round < ADG_PERMUTE_ROUNDS; round++) {
            for (uint32_t i = 0; i < count; i++) {
                uint64_t next = left[i] ^ (mix(right[i] + network->keys[round]) & network->mask);
                left[i] = right[i];
                right[i] = next;
            }
        }
        for (uint32_t i = 0; i < count; i++) {
            uint64_t image = left[i] << network->half | right[i];
            out[place[i]] = walking[still] = image;
            place[still] = place[i];
            still += image >= network->size;
        }
        count = still;
    }
}

static void permute_lanes_scalar(const struct network *network, const uint64_t *indexes, uint32_t count, uint64_t *out)
{
    permute_lanes(network, indexes, count, out);
}

ADG_FOR_AVX2 static void permute_lanes_avx2(const struct network *network, const uint64_t *indexes, uint32_t count,
                                            uint64_t *out)
{
    permute_lanes(network, indexes, count, out);
}

#if defined(__x86_64__)

/* With the product of 64-bit lanes, which took three products before, and indexes that stay in registers for all rounds. */
enum { WIDE = 8, VECTORS = 4, BATCH = WIDE * VECTORS };

ADG_FOR_AVX512 __attribute__((always_inline)) static inline __m512i mix_avx512(__m512i z)
{
    z = _mm512_mullo_epi64(_mm512_xor_si512(z, _mm512_srli_epi64(z, 30)),
                           _mm512_set1_epi64((long long)UINT64_C(0xBF58476D1CE4E5B9)));
    z = _mm512_mullo_epi64(_mm512_xor_si512(z, _mm512_srli_epi64(z, 27)),
                           _mm512_set1_epi64((long long)UINT64_C(0x94D049BB133111EB)));
    return _mm512_xor_si512(z, _mm512_srli_epi64(z, 31));
}

/* One way through the network for a batch, which may be in place. Images that have to walk on are put at `walking`, with their places
 * counted from `first`; returns how many. */
ADG_FOR_AVX512 __attribute__((always_inline)) static inline uint32_t walk_batch(const struct network *network,
                                                                                const uint64_t *indexes,
                                                                                uint64_t *images, uint32_t first,
                                                                                uint64_t *walking, uint32_t *places)
{
    const __m128i half = _mm_cvtsi32_si128((int)network->half);
    const __m512i mask = _mm512_set1_epi64((long long)network->mask);
    const __m512i size = _mm512_set1_epi64((long long)network->size);
    const __m256i order = _mm256_set_epi32(7, 6, 5, 4, 3, 2, 1, 0);
    __m512i left[VECTORS], right[VECTORS];
    uint32_t still = 0;
    for (int v = 0; v < VECTORS; v++) {
        __m512i index = _mm512_loadu_si512(indexes + v * WIDE);
        left[v] = _mm512_srl_epi64(index, half);
        right[v] = _mm512_and_si512(index, mask);
    }
    for (int round = 0; round < ADG_PERMUTE_ROUNDS; round++) {
        const __m512i key = _mm512_set1_epi64((long long)network->keys[round]);
        for (int v = 0; v < VECTORS; v++) {
            __m512i mixed = mix_avx512(_mm512_add_epi64(right[v], key));
            __m512i next = _mm512_xor_si512(left[v], _mm512_and_si512(mixed, mask));
            left[v] = right[v];
            right[v] = next;
        }
    }
    for (int v = 0; v < VECTORS; v++) {
        __m512i image = _mm512_or_si512(_mm512_sll_epi64(left[v], half), right[v]);
        __mmask8 outside = _mm512_cmpge_epu64_mask(image, size);
        __m256i place = _mm256_add_epi32(order, _mm256_set1_epi32((int)first + v * WIDE));
        _mm512_storeu_si512(images + v * WIDE, image);
        _mm512_storeu_si512(walking + still, _mm512_maskz_compress_epi64(outside, image));
        _mm256_storeu_si256((__m256i *)(void *)(places + still), _mm256_maskz_compress_epi32(outside, place));
        still += (uint32_t)_mm_popcnt_u32(outside);
    }
    return still;
}

/* Any number of indexes. Behind walking[] and places[] is room for what a vector stores too much. */
ADG_FOR_AVX512 static void permute_avx512(const struct network *network, const uint64_t *indexes, uint32_t count,
                                          uint64_t *out)
{
    enum { STRETCH = 512 };
    uint64_t walking[STRETCH + BATCH], images[STRETCH + BATCH];
    uint32_t places[STRETCH + BATCH];
    for (; count > 0; indexes += STRETCH, out += STRETCH) {
        uint32_t part = count < STRETCH ? count : STRETCH, whole = part / BATCH * BATCH, walkers = 0;
        for (uint32_t i = 0; i < whole; i += BATCH) {
            walkers += walk_batch(network, indexes + i, out + i, i, walking + walkers, places + walkers);
        }
        for (uint32_t i = whole; i < part; i++, walkers++) { /* the rest walks with those that are outside */
            walking[walkers] = indexes[i];
            places[walkers] = i;
        }
        while (walkers > 0) {
            uint32_t still = 0, ignored[BATCH + WIDE];
            uint64_t unused[BATCH + WIDE];
            memset(walking + walkers, 0, BATCH * sizeof *walking); /* what fills up the last batch */
            for (uint32_t i = 0; i < walkers; i += BATCH) {
                (void)walk_batch(network, walking + i, images + i, i, unused, ignored);
            }
            for (uint32_t i = 0; i < walkers; i++) {
                out[places[i]] = walking[still] = images[i];
                places[still] = places[i];
                still += images[i] >= network->size;
            }
            walkers = still;
        }
        count -= part;
        if (part < STRETCH) {
            break;
        }
    }
}

/* False: it was not chosen. */
static bool permute_wide(const struct network *network, const uint64_t *indexes, uint32_t count, uint64_t *out)
{
    if (adg_cpu_choose() < ADG_CPU_AVX512) {
        return false;
    }
    permute_avx512(network, indexes, count, out);
    return true;
}

#else

static bool permute_wide(const struct network *network, const uint64_t *indexes, uint32_t count, uint64_t *out)
{
    (void)network, (void)indexes, (void)count, (void)out;
    return false;
}
#endif

void adg_permute_many(const struct adg_permutation *permutation, uint64_t tweak, uint64_t size, const uint64_t *indexes,
                      uint32_t count, uint64_t *out)
{
    const struct network network = network_of(permutation, tweak, size);
    void (*lanes)(const struct network *, const uint64_t *, uint32_t,
                  uint64_t *) = adg_cpu_choose() >= ADG_CPU_AVX2 ? permute_lanes_avx2 : permute_lanes_scalar;
    if (permute_wide(&network, indexes, count, out)) {
        return;
    }
    for (uint32_t first = 0; first < count; first += LANES) {
        lanes(&network, indexes + first, count - first < LANES ? count - first : LANES, out + first);
    }
}
