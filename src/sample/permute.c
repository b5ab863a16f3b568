/*
 * Feistel network with cycle walking: see permute.h. The round function is the finaliser of SplitMix64 (Steele, Lea, Flood:
 * "Fast splittable pseudorandom number generators", 2014).
 */
#include "sample/permute.h"

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

uint64_t adg_permute(const struct adg_permutation *permutation, uint64_t tweak, uint64_t size, uint64_t index)
{
    unsigned bits = size > 1 ? 64 - (unsigned)__builtin_clzll(size - 1) : 1;
    unsigned half = (bits + 1) / 2;
    uint64_t mask = (UINT64_C(1) << half) - 1;
    uint64_t twist = tweak == 0 ? 0 : mix(tweak);
    do {
        uint64_t left = index >> half, right = index & mask;
        for (int round = 0; round < ADG_PERMUTE_ROUNDS; round++) {
            uint64_t next = left ^ (mix(right + (permutation->keys[round] ^ twist)) & mask);
            left = right;
            right = next;
        }
        index = left << half | right;
    } while (index >= size);
    return index;
}
