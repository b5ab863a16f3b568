/*
 * A sample of a column's distinct values, in constant memory: the hash of a value and how often it occurs.
 *
 * A value is kept when the low `level` bits of its hash are zero; when more than `most` would be kept, the level rises and half of
 * them go (adaptive sampling: Wegman; Flajolet, "On adaptive sampling", Computing 43, 1990). Whether a value is kept depends on its hash
 * alone, so that all of its occurrences are counted or none: the kept ones are a fair sample of the distinct values, with exact counts.
 */
#ifndef ADG_CLASSIFY_SKETCH_H
#define ADG_CLASSIFY_SKETCH_H

#include <stdint.h>

#include "core/status.h"

struct adg_sketch_entry {
    uint64_t hash, count; /* count 0: empty */
};

/* Zeroed but for `most` it is empty. */
struct adg_sketch {
    struct adg_sketch_entry *entries; /* [slots], open addressing */
    uint32_t slots, used, most;
    uint32_t level;
};

ADG_MUST_CHECK enum adg_status adg_sketch_add(struct adg_sketch *sketch, uint64_t hash, struct adg_error *error);
void adg_sketch_fini(struct adg_sketch *sketch);

/* The slot of a value, as long as nothing is added; -1 when it does not occur, or was not kept. */
int64_t adg_sketch_find(const struct adg_sketch *sketch, uint64_t hash);

/* What the sample says. */
struct adg_sketch_summary {
    uint64_t distinct;     /* estimated; exact while the level is 0 */
    uint64_t kept;         /* distinct values in the sample */
    uint64_t records;      /* with these values */
    uint64_t repeated;     /* values in the sample that occur more than once */
    uint64_t rare_records; /* records whose value occurs fewer than 5 times */
    double chance;         /* that two records have the same value: exact while the level is 0 */
};
struct adg_sketch_summary adg_sketch_summarise(const struct adg_sketch *sketch);

/* Mixes all bits of a number into all of the result (MurmurHash3's finaliser). */
static inline uint64_t adg_mix(uint64_t x)
{
    x ^= x >> 33;
    x *= UINT64_C(0xff51afd7ed558ccd);
    x ^= x >> 33;
    x *= UINT64_C(0xc4ceb9fe1a85ec53);
    return x ^ x >> 33;
}

#endif
