/*
 * Columns of which few rows have a value. Drawn is how far it is to the next such row, so that the work is that of the values, not of
 * the rows.
 *
 * Every row has a value with the same chance, whatever the others have, so the number of rows before the next one is geometric
 * (Devroye, "Non-Uniform Random Variate Generation", Springer 1986, X.2). An alias table gives it: 0 .. ADG_SPARSE_MOST - 1, or that
 * the next ADG_SPARSE_MOST rows have none, after which one draws again. Cumulative shares are rounded to parts of 2^-32, each to the
 * nearest.
 *
 * Canonical order, part of the output's format: blocks of ADG_SPARSE_ROWS rows are drawn by themselves, each from its first row; draw n of a
 * block has the word of the block's row n in the stream of gaps, and value n that in the stream of values.
 */
#ifndef ADG_SAMPLE_SPARSE_H
#define ADG_SAMPLE_SPARSE_H

#include "sample/alias.h"
#include "sample/philox.h"

enum { ADG_SPARSE_ROWS = 16384, ADG_SPARSE_MOST = 255 };

struct adg_sparse {
    struct adg_alias gaps, values; /* owned by whoever made them */
    struct adg_stream gap_stream, value_stream;
    uint32_t chunk; /* draws at a time, a multiple of 64: mostly enough for a block */
};

/* Shares of the gaps where `filled` of 2^32 rows have a value, 1 .. 2^32: parts[0 .. ADG_SPARSE_MOST] sum to 2^32. */
void adg_sparse_parts(uint64_t filled, uint64_t parts[ADG_SPARSE_MOST + 1]);
uint32_t adg_sparse_chunk(uint64_t filled);

/* Rows with a value among the first `count` of a block, counted from its first row `first_row`, in ascending order, and their values.
 * Returns how many: `most`, for which there is room in `rows` and `codes`, if there are more. `words` [ADG_SPARSE_ROWS] is scratch. */
uint32_t adg_sparse_draw(const struct adg_sparse *sparse, uint64_t first_row, uint32_t count, uint32_t most,
                         uint32_t *words, uint16_t *rows, uint32_t *codes);

#endif
