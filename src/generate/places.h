/*
 * Identifiers of a pattern with the same choice of bytes at each place (struct adg_pattern_places), many at a time. They are the
 * strings that adg_pattern_string() gives.
 */
#ifndef ADG_GENERATE_PLACES_H
#define ADG_GENERATE_PLACES_H

#include "dataset/pattern.h"
#include "sample/permute.h"
#include "sample/philox.h"

struct adg_places_writer {
    struct adg_pattern_places places;
    struct adg_permutation permutation;
    struct adg_stream characters;
    uint64_t *reciprocals; /* [places.length] ceil(2^64 / choices) */
    uint32_t divided;      /* the last so many places are divided off by the processor: what is left is below 2^56 */
};

#define ADG_PLACES_BATCH 64

/* False when the pattern is of another kind. Memory is the arena's. */
bool adg_places_writer_init(struct adg_places_writer *writer, const struct adg_pattern *pattern,
                            const struct adg_permutation *permutation, const struct adg_stream *characters,
                            struct adg_arena *arena);

/* The strings with `count` numbers (at most ADG_PLACES_BATCH): string i at out[i * places.length]. */
void adg_places_write(const struct adg_places_writer *writer, const uint64_t *numbers, uint32_t count, uint8_t *out);

#endif
