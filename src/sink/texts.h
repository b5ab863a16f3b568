/*
 * The different texts of one column in one part, in the order in which they first come: a dictionary made on the way, for joined
 * texts, which repeat but are too many to be listed beforehand.
 */
#ifndef ADG_SINK_TEXTS_H
#define ADG_SINK_TEXTS_H

#include "block/block.h"
#include "core/buffer.h"

struct adg_texts_slot;
struct adg_texts {
    struct adg_buffer
        cells; /* of all entries, as a dictionary page has them; ADG_TEXT_SLACK behind the last may be read */
    uint32_t count, capacity;
    uint32_t *offsets; /* [capacity] of the cells */
    uint8_t *seen;     /* [capacity] scratch */
    struct adg_texts_slot *slots;
    unsigned slot_bits;
};

/* Empties it and keeps its memory. */
void adg_texts_clear(struct adg_texts *texts);
/* Codes of the rows of a TEXTS column, ADG_NO_TEXT for null. Stops when there are more than `most` entries. `known` is scratch for as
 * many cells as the column has. */
ADG_MUST_CHECK enum adg_status adg_texts_add(struct adg_texts *texts, const struct adg_block_column *column,
                                             uint32_t rows, uint32_t most, uint32_t *known, uint32_t *codes,
                                             struct adg_error *error);
void adg_texts_fini(struct adg_texts *texts);

/* The first eight bytes as a number that compares as they do, zeros behind a shorter text. Slack may be read. */
static inline uint64_t adg_text_first_bytes(const char *text, uint32_t size)
{
    uint64_t word;
    memcpy(&word, text, sizeof word);
    word = __builtin_bswap64(word);
    return size >= sizeof word ? word : size == 0 ? 0 : word & ~UINT64_C(0) << 8 * (sizeof word - size);
}

/* Keeps the smallest and the largest of the texts it is shown. */
struct adg_text_bounds {
    uint64_t least, most; /* first bytes of the two */
    struct adg_span min, max;
};
static inline void adg_text_bounds_show(struct adg_text_bounds *bounds, const char *text, uint32_t size)
{
    uint64_t first = adg_text_first_bytes(text, size);
    const struct adg_span value = {(const uint8_t *)text, size};
    if (bounds->min.data == NULL || first < bounds->least ||
        (first == bounds->least && adg_span_compare(value, bounds->min) < 0)) {
        bounds->least = first;
        bounds->min = value;
    }
    if (bounds->max.data == NULL || first > bounds->most ||
        (first == bounds->most && adg_span_compare(value, bounds->max) > 0)) {
        bounds->most = first;
        bounds->max = value;
    }
}

/* Shows `bounds` every text of the codes. */
void adg_texts_bounds(struct adg_texts *texts, const uint32_t *codes, uint32_t rows, struct adg_text_bounds *bounds);

#endif
