/*
 * Feistel network with cycle walking: see permute.h. The round function is the finaliser of SplitMix64 (Steele, Lea, Flood:
 * "Fast splittable pseudorandom number generators", 2014).
 */
#include "sample/permute.h"

#include "core/cpu.h"
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

#if defined(__x86_64__)
__attribute__((target("avx2"))) static void permute_lanes_avx2(const struct network *network, const uint64_t *indexes,
                                                               uint32_t count, uint64_t *out)
{
    permute_lanes(network, indexes, count, out);
}

/* It has the product of 64-bit lanes, which takes three products before. */
__attribute__((target(ADG_TARGET_AVX512))) static void
permute_lanes_avx512(const struct network *network, const uint64_t *indexes, uint32_t count, uint64_t *out)
{
    permute_lanes(network, indexes, count, out);
}
#endif

void adg_permute_many(const struct adg_permutation *permutation, uint64_t tweak, uint64_t size, const uint64_t *indexes,
                      uint32_t count, uint64_t *out)
{
    const struct network network = network_of(permutation, tweak, size);
    void (*lanes)(const struct network *, const uint64_t *, uint32_t, uint64_t *) = permute_lanes_scalar;
#if defined(__x86_64__)
    lanes = adg_cpu_choose() >= ADG_CPU_AVX512 ? permute_lanes_avx512
            : adg_cpu_choose() >= ADG_CPU_AVX2 ? permute_lanes_avx2
                                               : lanes;
#endif
    for (uint32_t first = 0; first < count; first += LANES) {
        lanes(&network, indexes + first, count - first < LANES ? count - first : LANES, out + first);
    }
}
