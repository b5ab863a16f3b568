/*
 * A keyed bijection of 0 .. size-1, for keys that are unique by construction: a balanced Feistel network over the next even
 * number of bits (Luby, Rackoff, 1988), and cycle walking for sizes that are no power of two (Black, Rogaway: "Ciphers with
 * arbitrary finite domains", 2002). It scatters; it hides nothing.
 */
#ifndef ADG_SAMPLE_PERMUTE_H
#define ADG_SAMPLE_PERMUTE_H

#include <stdint.h>

enum { ADG_PERMUTE_ROUNDS = 6 };

struct adg_permutation {
    uint64_t keys[ADG_PERMUTE_ROUNDS];
};

void adg_permutation_init(struct adg_permutation *permutation, uint64_t seed, uint32_t column, uint32_t purpose);

/* The image of `index` < `size`, 1 <= size <= 2^63. Another `tweak` gives another bijection. */
uint64_t adg_permute(const struct adg_permutation *permutation, uint64_t tweak, uint64_t size, uint64_t index);
/* The images of `count` indexes; `out` may be `indexes`. */
void adg_permute_many(const struct adg_permutation *permutation, uint64_t tweak, uint64_t size, const uint64_t *indexes,
                      uint32_t count, uint64_t *out);

#endif
