/*
 * Within the Arrow sink: rows of a block as the buffers of an Arrow array. Bits are least significant first; a batch has at
 * most ADG_BLOCK_ROWS rows.
 */
#ifndef ADG_SINK_ARROW_VALUES_H
#define ADG_SINK_ARROW_VALUES_H

#include <stddef.h>
#include <stdint.h>

#include "block/block.h"

enum { ADG_ARROW_SHORT_TEXT = 16 };

/* What is behind the codes of a column, made once: entry `count` is null, and 0 or empty. */
struct adg_arrow_entries {
    uint32_t count;
    uint32_t longest;  /* bytes of the longest text */
    int32_t *offsets;  /* text: [count + 2] */
    char *bytes;       /* text: of all entries, ADG_ARROW_SHORT_TEXT more may be read */
    size_t byte_count; /* text */
    void *values;      /* else: [count + 1] of `width` bytes */
    unsigned width;    /* 4, 8 or 16 */
};

/* A bit per row, whose flag is 1 or 0; returns how many are 0. */
uint32_t adg_arrow_bits(const uint8_t *flags, uint32_t rows, uint8_t *bits);

/* Codes as indices, null as 0; valid [rows] becomes 1 or 0. */
void adg_arrow_indices(const uint32_t *codes, uint32_t rows, uint32_t null, int32_t *indices, uint8_t *valid);
void adg_arrow_valid(const uint32_t *codes, uint32_t rows, uint32_t null, uint8_t *valid);

/* values[codes[i]] */
void adg_arrow_gather(const struct adg_arrow_entries *entries, const uint32_t *codes, uint32_t rows, void *out);

/* Offsets [rows + 1] of the texts of the codes; returns how many bytes they take, of which offsets show the lowest 31 bits. */
uint64_t adg_arrow_text_offsets(const struct adg_arrow_entries *entries, const uint32_t *codes, uint32_t rows,
                                int32_t *offsets);
/* And the texts, `out` having ADG_ARROW_SHORT_TEXT bytes more. */
void adg_arrow_text_gather(const struct adg_arrow_entries *entries, const uint32_t *codes, uint32_t rows, char *out);

/* int64_t as 128 bits, low half first. */
void adg_arrow_widen(const int64_t *values, uint32_t rows, int64_t *out);

#endif
