/*
 * Identifiers place by place: see places.h.
 */
#include "generate/places.h"

#include "core/wide.h"

/* Below this a number's quotient by up to 128 is the high half of its product with the reciprocal rounded up (Granlund,
 * Montgomery: "Division by invariant integers using multiplication", PLDI 1994): the product is too large by less than
 * number * 128 / 2^64 < 1/2. */
#define EXACT_BELOW (UINT64_C(1) << 56)

bool adg_places_writer_init(struct adg_places_writer *writer, const struct adg_pattern *pattern,
                            const struct adg_permutation *permutation, const struct adg_stream *characters,
                            struct adg_arena *arena)
{
    *writer = (struct adg_places_writer){.permutation = *permutation, .characters = *characters};
    if (!adg_pattern_places(pattern, arena, &writer->places)) {
        return false;
    }
    const struct adg_pattern_places *places = &writer->places;
    writer->reciprocals = adg_arena_array(arena, places->length, sizeof *writer->reciprocals);
    if (writer->reciprocals == NULL) {
        return false;
    }
    uint64_t most = places->count;
    for (uint32_t p = places->length; p-- > places->random;) {
        uint32_t choices = places->places[p].choices;
        writer->divided += most >= EXACT_BELOW;
        most = most / choices + 1;
        writer->reciprocals[p] = choices > 1 ? UINT64_MAX / choices + 1 : 0;
    }
    return true;
}

/* The places that random words pick. */
static void write_random(const struct adg_places_writer *writer, const uint64_t *numbers, uint32_t count, uint8_t *out)
{
    const struct adg_pattern_places *places = &writer->places;
    uint32_t low[ADG_PLACES_BATCH], high[ADG_PLACES_BATCH], words[4 * ADG_PLACES_BATCH];
    for (uint32_t i = 0; i < count; i++) {
        low[i] = (uint32_t)numbers[i];
    }
    for (uint32_t p = 0; p < places->random; p++) {
        const struct adg_pattern_place *place = &places->places[p];
        if (p % 4 == 0) {
            for (uint32_t i = 0; i < count; i++) {
                high[i] = (uint32_t)(numbers[i] >> 32) | (p / 4) << 16;
            }
            adg_philox4x32_many(&writer->characters, low, high, count, words);
        }
        const uint32_t *word = words + p % 4 * count;
        for (uint32_t i = 0; i < count; i++) {
            out[i * places->length + p] = place->bytes[(uint64_t)word[i] * place->choices >> 32];
        }
    }
}

void adg_places_write(const struct adg_places_writer *writer, const uint64_t *numbers, uint32_t count, uint8_t *out)
{
    const struct adg_pattern_places *places = &writer->places;
    uint64_t rest[ADG_PLACES_BATCH];
    adg_permute_many(&writer->permutation, places->state, places->count, numbers, count, rest);
    write_random(writer, numbers, count, out);
    for (uint32_t p = places->length; p-- > places->random;) {
        const struct adg_pattern_place *place = &places->places[p];
        uint64_t choices = place->choices, reciprocal = writer->reciprocals[p];
        bool divide = places->length - p <= writer->divided;
        for (uint32_t i = 0; i < count && choices > 1; i++) {
            uint64_t quotient = divide ? rest[i] / choices : (uint64_t)((adg_uint128)rest[i] * reciprocal >> 64);
            out[i * places->length + p] = place->bytes[rest[i] - quotient * choices];
            rest[i] = quotient;
        }
        for (uint32_t i = 0; i < count && choices == 1; i++) {
            out[i * places->length + p] = place->bytes[0];
        }
    }
}
