/*
 * Drawing from a discrete distribution with one 32-bit word: the alias method, in integers (Walker, ACM TOMS 3(3), 1977; Vose,
 * IEEE TSE 17(9), 1991).
 *
 * Weights are scaled to whole parts that sum to 2^32 exactly (largest remainder, ties to the lower index). Every value with
 * a weight gets at least one part; a distribution in which a value's exact share is below one part is refused
 * (ADG_BAD_INPUT). The table has a power of two of slots: the top bits of the word pick the slot, the rest is compared.
 */
#ifndef ADG_SAMPLE_ALIAS_H
#define ADG_SAMPLE_ALIAS_H

#include <stdint.h>

#include "core/status.h"

#define ADG_PARTS (UINT64_C(1) << 32)

/* Parts of `count` weights (whole) and of null, whose share is null / (null + filled), 0 when both are 0: parts[0 .. count-1]
 * and parts[count] for null. All values 0 when filled is 0 and null is not; else ADG_BAD_INPUT when no weight is positive.
 * `count` >= 1. */
ADG_MUST_CHECK enum adg_status adg_parts_scale(const uint64_t *weights, uint32_t count, uint64_t null, uint64_t filled,
                                               uint64_t *parts, struct adg_error *error);

struct adg_alias_slot {
    uint32_t threshold; /* low bits below it: the slot's own value */
    uint32_t alias;
};
struct adg_alias {
    struct adg_alias_slot *slots;
    unsigned slot_bits;
};

/* From parts that sum to 2^32. Owned by the caller; adg_alias_fini accepts a zeroed struct. */
ADG_MUST_CHECK enum adg_status adg_alias_build(struct adg_alias *alias, const uint64_t *parts, uint32_t count,
                                               struct adg_error *error);
void adg_alias_fini(struct adg_alias *alias);

static inline uint32_t adg_alias_draw_one(const struct adg_alias *alias, uint32_t word)
{
    uint32_t slot = (uint32_t)((uint64_t)word >> (32 - alias->slot_bits));
    uint32_t low = (uint32_t)((uint64_t)word << alias->slot_bits) >> alias->slot_bits;
    return low < alias->slots[slot].threshold ? slot : alias->slots[slot].alias;
}
/* codes[i] for words[i]; may be the same array. */
void adg_alias_draw(const struct adg_alias *alias, const uint32_t *words, uint32_t count, uint32_t *codes);

/* Inverse distribution: sums[i] = parts[0] + ... + parts[i-1], [count + 1]. */
void adg_sums_build(const uint64_t *parts, uint32_t count, uint64_t *sums);
/* A value other than `excluded`, by the same parts. At least one other value has parts. */
uint32_t adg_sums_draw_other(const uint64_t *sums, uint32_t count, uint32_t excluded, uint32_t word);

#endif
